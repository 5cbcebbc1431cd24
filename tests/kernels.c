/* A thousand kernels: the lazy flow on kernels of many families, sizes, scales and conditions, each checked by other
   means: margins recomputed in long double from the coefficients, separability by a Cholesky factor in long double. */

typedef struct kernel_case {
  size_t family, n, d;
  double *x, *K, *y; /* (n,d), (n,n), (n) */
  invman_rng rng;
} kernel_case;

static const char *const kernel_families[] = {"tangent",         "first layer",
                                              "last layer",      "Laplace",
                                              "Gauss",           "Matern 3/2",
                                              "Matern 5/2",      "polynomial",
                                              "multiquadric",    "tangent 1d grid",
                                              "tangent 2d grid", "Laplace 1d grid",
                                              "Laplace 2d grid", "graph",
                                              "Hilbert",         "Brownian",
                                              "Toeplitz",        "given spectrum",
                                              "network",         "duplicates",
                                              "near duplicates", "near duplicates, Laplace"};
enum { KERNEL_FAMILIES = sizeof kernel_families / sizeof *kernel_families };

static double kernel_pick(kernel_case *c, const double *values, size_t count) {
  return values[invman_rng_next(&c->rng) % count];
}

static double kernel_squared_distance(const double *a, const double *b, size_t d) {
  double sum = 0;
  size_t k;
  for (k = 0; k < d; k++) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sum;
}

static void kernel_points(kernel_case *c) { /* normals, or grids, shifted and scaled; or some of them nearly equal */
  static const double shifts[] = {0, 0, 0, 10, 1000}, scales[] = {0.1, 1, 1, 10},
                      gaps[] = {1e-2, 1e-4, 1e-6, 1e-8, 1e-10};
  double shift = kernel_pick(c, shifts, 5), scale = kernel_pick(c, scales, 4), gap = kernel_pick(c, gaps, 5);
  const char *name = kernel_families[c->family];
  size_t i, k, side = (size_t)ceil(sqrt((double)c->n));
  for (i = 0; i < c->n; i++)
    for (k = 0; k < c->d; k++) {
      double *x = &c->x[i * c->d + k];
      if (strstr(name, "1d grid")) *x = 20 * ((double)i / (double)c->n - 0.5);
      else if (strstr(name, "2d grid")) *x = (double)(k ? i / side : i % side) / (double)side;
      else *x = invman_rng_normal(&c->rng);
      *x = shift + scale * *x;
    }
  for (i = 1; i < c->n && strstr(name, "duplicates"); i += 2)
    for (k = 0; k < c->d; k++)
      c->x[i * c->d + k] = c->x[(i - 1) * c->d + k] + (strstr(name, "near") ? gap * invman_rng_normal(&c->rng) : 0);
}

static void kernel_labels(kernel_case *c) { /* random, rare, alternating, of one direction, one flipped, all equal */
  size_t kind = invman_rng_next(&c->rng) % 6, i, odd = invman_rng_next(&c->rng) % c->n;
  for (i = 0; i < c->n; i++) {
    double u = invman_rng_uniform(&c->rng);
    int plus = kind == 0   ? u < 0.5
               : kind == 1 ? u < 0.05
               : kind == 2 ? i % 2 == 0
               : kind == 3 ? sin(3 * c->x[i * c->d]) > 0
               : kind == 4 ? i != odd
                           : 1;
    c->y[i] = plus ? 1 : -1;
    if (i % 2 && strstr(kernel_families[c->family], "duplicates") && !strstr(kernel_families[c->family], "near"))
      c->y[i] = c->y[i - 1];
  }
}

static void kernel_of_distances(kernel_case *c, double width) {
  const char *name = kernel_families[c->family];
  size_t i, j;
  for (i = 0; i < c->n; i++)
    for (j = 0; j < c->n; j++) {
      double s = kernel_squared_distance(c->x + i * c->d, c->x + j * c->d, c->d) / (width * width), r = sqrt(s);
      c->K[i * c->n + j] = strstr(name, "Gauss")    ? exp(-s / 2)
                           : strstr(name, "3/2")    ? (1 + sqrt(3) * r) * exp(-sqrt(3) * r)
                           : strstr(name, "5/2")    ? (1 + sqrt(5) * r + 5 * s / 3) * exp(-sqrt(5) * r)
                           : strstr(name, "multiq") ? 1 / sqrt(1 + s)
                                                    : exp(-r);
    }
}

static void kernel_polynomial(kernel_case *c) {
  int degree = 1 + (int)(invman_rng_next(&c->rng) % 6);
  size_t i, j;
  for (i = 0; i < c->n; i++)
    for (j = 0; j < c->n; j++)
      c->K[i * c->n + j] =
          pow(1 + invman_i_inner(c->x + i * c->d, c->x + j * c->d, c->d) / (double)c->d, degree) + (i == j);
}

static void kernel_graph(kernel_case *c) { /* the Laplacian of a random graph, plus a share of 1 */
  static const double shares[] = {1, 1e-3, 1e-6, 1e-9};
  double share = kernel_pick(c, shares, 4), edges = 1 + 4 * invman_rng_uniform(&c->rng);
  size_t i, j;
  memset(c->K, 0, c->n * c->n * sizeof *c->K);
  for (i = 0; i < c->n; i++)
    for (j = 0; j < i; j++)
      if (j + 1 == i || invman_rng_uniform(&c->rng) < edges / (double)c->n) {
        c->K[i * c->n + j] = c->K[j * c->n + i] = -1;
        c->K[i * c->n + i] += 1;
        c->K[j * c->n + j] += 1;
      }
  for (i = 0; i < c->n; i++) c->K[i * c->n + i] += share;
}

static void kernel_by_index(kernel_case *c) {
  static const double rhos[] = {0.5, 0.99, 0.9999, 0.999999, 1 - 1e-9, 1 - 1e-12};
  double rho = kernel_pick(c, rhos, 6), shift = 0.5 + invman_rng_uniform(&c->rng);
  const char *name = kernel_families[c->family];
  size_t i, j;
  for (i = 0; i < c->n; i++)
    for (j = 0; j < c->n; j++)
      c->K[i * c->n + j] = !strcmp(name, "Hilbert")    ? 1 / ((double)(i + j) + shift)
                           : !strcmp(name, "Brownian") ? (double)((i < j ? i : j) + 1) / (double)c->n
                                                       : pow(rho, i < j ? (double)(j - i) : (double)(i - j));
}

static void kernel_of_spectrum(kernel_case *c) { /* H diag(lambda) H of a Householder reflection, thrice */
  double lowest = 13 * invman_rng_uniform(&c->rng), *v = (double *)malloc(c->n * sizeof(double));
  size_t i, j, k, n = c->n;
  memset(c->K, 0, n * n * sizeof *c->K);
  for (i = 0; i < n; i++) c->K[i * n + i] = pow(10, n > 1 ? -lowest * (double)i / (double)(n - 1) : 0);
  for (k = 0; k < 3; k++) {
    double square = 0, by;
    int side;
    for (i = 0; i < n; i++) {
      v[i] = invman_rng_normal(&c->rng);
      square += v[i] * v[i];
    }
    for (side = 0; side < 2; side++)
      for (i = 0; i < n; i++) { /* rows, then columns */
        for (j = 0, by = 0; j < n; j++) by += v[j] * (side ? c->K[j * n + i] : c->K[i * n + j]);
        for (j = 0; j < n; j++) *(side ? &c->K[j * n + i] : &c->K[i * n + j]) -= 2 * by / square * v[j];
      }
  }
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++) c->K[i * n + j] = c->K[j * n + i];
  free(v);
}

static void kernel_of_network(kernel_case *c) {
  invman_net net;
  if (invman_net_init(NULL, 5 + c->n / c->d, c->d, &c->rng, &net) < 0) exit(1);
  if (invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, c->x, c->n, NULL, 0, c->K) < 0) exit(1);
  invman_net_free(NULL, &net);
}

static kernel_case kernel_make(size_t number) {
  static const double widths[] = {0.1, 0.5, 1, 3}, scales[] = {1e-6, 1e-3, 1, 1, 1, 1e3, 1e6};
  kernel_case c;
  const char *name;
  double scale;
  size_t i;
  int part;
  memset(&c, 0, sizeof c);
  invman_rng_seed(&c.rng, number, 77);
  c.family = number % KERNEL_FAMILIES;
  name = kernel_families[c.family];
  c.n = 2 + (size_t)(298 * pow(invman_rng_uniform(&c.rng), 4));
  c.d = strstr(name, "1d") ? 1 : strstr(name, "2d") ? 2 : 1 + invman_rng_next(&c.rng) % 5;
  c.x = (double *)malloc(c.n * c.d * sizeof(double));
  c.y = (double *)malloc(c.n * sizeof(double));
  c.K = (double *)malloc(c.n * c.n * sizeof(double));
  kernel_points(&c);
  kernel_labels(&c);
  part = !strcmp(name, "first layer")  ? INVMAN_NTK_FIRST_LAYER
         : !strcmp(name, "last layer") ? INVMAN_NTK_LAST_LAYER
                                       : INVMAN_NTK_ALL;
  if (!strcmp(name, "polynomial")) kernel_polynomial(&c);
  else if (!strcmp(name, "graph")) kernel_graph(&c);
  else if (!strcmp(name, "Hilbert") || !strcmp(name, "Brownian") || !strcmp(name, "Toeplitz")) kernel_by_index(&c);
  else if (!strcmp(name, "given spectrum")) kernel_of_spectrum(&c);
  else if (!strcmp(name, "network")) kernel_of_network(&c);
  else if (strstr(name, "Laplace") || strstr(name, "Gauss") || strstr(name, "Matern") || strstr(name, "multi"))
    kernel_of_distances(&c, kernel_pick(&c, widths, 4));
  else if (invman_ntk_gram_infinite(NULL, c.d, part, c.x, c.n, NULL, 0, c.K) < 0) exit(1);
  scale = kernel_pick(&c, scales, 7);
  for (i = 0; i < c.n * c.n; i++) c.K[i] *= scale;
  return c;
}

static void kernel_drop(kernel_case *c) { free(c->x), free(c->y), free(c->K); }

static double kernel_condition(const kernel_case *c) { /* infinite where an eigenvalue is not above 0 */
  double *A = (double *)malloc(c->n * c->n * sizeof(double)), *lambda = (double *)malloc(c->n * sizeof(double)), least;
  memcpy(A, c->K, c->n * c->n * sizeof(double));
  if (invman_eigvalsh(NULL, c->n, A, lambda) < 0) exit(1);
  least = lambda[c->n - 1];
  least = least > 0 ? lambda[0] / least : HUGE_VAL;
  free(A), free(lambda);
  return least;
}

/* Margins from the coefficients in long double: the largest of what is missing to 1 beyond what coefficients that are
   doubles allow. */
static long double kernel_missing(const kernel_case *c, const double *a) {
  long double worst = 0;
  size_t i, j;
  for (i = 0; i < c->n; i++) {
    long double F = 0, size = 0, allowed = 1e-9L, missing;
    for (j = 0; j < c->n; j++) {
      long double term = (long double)c->K[i * c->n + j] * (long double)a[j];
      F += term;
      size += term < 0 ? -term : term;
    }
    if (16 * (long double)DBL_EPSILON * size > allowed) allowed = 16 * (long double)DBL_EPSILON * size;
    missing = 1 - (long double)c->y[i] * F - allowed;
    if (!(missing <= worst)) worst = missing;
  }
  return worst;
}

/* Does K a = y, solved by a Cholesky factor in long double, give every margin? */
static int kernel_separates(const kernel_case *c) {
  size_t n = c->n, i, j, k;
  long double *L = (long double *)malloc((n * n + n) * sizeof(long double)), *a = L + n * n;
  int good = 1;
  for (i = 0; i < n && good; i++)
    for (j = 0; j <= i && good; j++) {
      long double sum = (long double)c->K[i * n + j];
      for (k = 0; k < j; k++) sum -= L[i * n + k] * L[j * n + k];
      if (i == j) good = sum > 0;
      if (good) L[i * n + j] = i == j ? (long double)sqrt((double)sum) : sum / L[j * n + j];
      if (good && i == j) L[i * n + j] = (L[i * n + j] + sum / L[i * n + j]) / 2; /* a root of its precision */
    }
  for (i = 0; i < n && good; i++) {
    a[i] = (long double)c->y[i];
    for (k = 0; k < i; k++) a[i] -= L[i * n + k] * a[k];
    a[i] /= L[i * n + i];
  }
  for (i = n; i-- > 0 && good;) {
    for (k = i + 1; k < n; k++) a[i] -= L[k * n + i] * a[k];
    a[i] /= L[i * n + i];
  }
  for (i = 0; i < n && good; i++) {
    long double F = 0;
    for (j = 0; j < n; j++) F += (long double)c->K[i * n + j] * a[j];
    good = (long double)c->y[i] * F > 1 - 1e-6L;
  }
  free(L);
  return good;
}

#ifdef TEST_QUICK
enum { THOUSAND = 2200, THOUSAND_STEP = 5 };
#else
enum { THOUSAND = TEST_WHOLE ? 2200 : 1100, THOUSAND_STEP = 1 };
#endif

static void kernels_thousand(void) {
  size_t number, beyond = 0, not_converged = 0, count[3][KERNEL_FAMILIES] = {{0}};
  for (number = 0; number < THOUSAND; number += THOUSAND_STEP) {
    kernel_case c = kernel_make(number);
    double condition = kernel_condition(&c), *a = (double *)malloc(c.n * sizeof(double));
    invman_lazy_info info;
    invman_status status = invman_lazy_train(NULL, c.K, c.y, c.n, NULL, a, &info);
    int wrong = 0;
    if (condition < 1e12) wrong = status != INVMAN_OK;
    else beyond++, not_converged += status == INVMAN_NOT_CONVERGED;
    if (status == INVMAN_OK) wrong |= kernel_missing(&c, a) > 0;
    if (status == INVMAN_NOT_SEPARABLE) wrong |= kernel_separates(&c);
    count[status == INVMAN_OK ? 0 : status == INVMAN_NOT_SEPARABLE ? 1 : 2][c.family]++;
    if (wrong)
      printf("  %lu: %s, n = %lu, condition %.2g: %s, margin %.12g, residual %.2g, speed %.2g, events %lu\n",
             (unsigned long)number, kernel_families[c.family], (unsigned long)c.n, condition,
             invman_status_string(status), info.margin_min, info.residual, info.speed, (unsigned long)info.events);
    CHECK(!wrong);
    free(a);
    kernel_drop(&c);
  }
  for (number = 0; number < KERNEL_FAMILIES; number++)
    printf("  %-26s OK %lu, not separable %lu, not converged %lu\n", kernel_families[number],
           (unsigned long)count[0][number], (unsigned long)count[1][number], (unsigned long)count[2][number]);
  printf("  beyond 1e12: %lu, of them not converged %lu\n", (unsigned long)beyond, (unsigned long)not_converged);
  CHECK(beyond > THOUSAND / 11 / THOUSAND_STEP && 10 * not_converged < beyond);
}

/* x = linspace(-10 pi, 10 pi, n), y = sign(sin x + sin 2x), scaled and shifted: conditions of 1e5 and more. */
static void kernels_of_sines(void) {
  static const double scales[] = {1, 1, 0.1, 10, 1}, shifts[] = {0, 100, 0, 0, -30};
  enum { MOST = 200 };
  static double x[MOST], y[MOST], a[MOST], K[MOST * MOST];
  size_t k, n, i;
  for (k = 0; k < sizeof scales / sizeof *scales; k++)
    for (n = 20; n <= MOST; n += k == 0 ? 1 : 9) {
      kernel_case c;
      invman_lazy_info info;
      memset(&c, 0, sizeof c);
      for (i = 0; i < n; i++) {
        double at = -31.415926535897932 + 62.831853071795865 * (double)i / (double)(n - 1);
        y[i] = sin(at) + sin(2 * at) > 0 ? 1 : -1;
        x[i] = scales[k] * at + shifts[k];
      }
      c.n = n, c.K = K, c.y = y;
      CHECK(invman_ntk_gram_infinite(NULL, 1, INVMAN_NTK_ALL, x, n, NULL, 0, K) == INVMAN_OK);
      CHECK(invman_lazy_train(NULL, K, y, n, NULL, a, &info) == INVMAN_OK && info.unsatisfied == 0);
      CHECK(kernel_missing(&c, a) <= 0);
    }
}

/* K = {1, 1 - gap}, labels +1 and -1: a = +-1/gap, both arriving at s = 2/gap. */
static void kernels_of_two_near_points(void) {
  double gap;
  for (gap = 0.5; gap > 1e-15; gap /= 2) { /* powers of two: 1 - gap is exact */
    double K[4] = {1, 1 - gap, 1 - gap, 1}, y[2] = {1, -1}, a[2];
    invman_lazy_info info;
    CHECK(invman_lazy_train(NULL, K, y, 2, NULL, a, &info) == INVMAN_OK);
    CLOSE(a[0] * gap, 1, 1e-14);
    CLOSE(a[1] * gap, -1, 1e-14);
    CLOSE(info.s * gap / 2, 1, 1e-14);
    K[1] = K[2] = 1; /* and where nothing is left between them */
    CHECK(invman_lazy_train(NULL, K, y, 2, NULL, a, &info) == INVMAN_NOT_SEPARABLE);
    CLOSE(info.loss, 1, 1e-15);
  }
}

/* Gaussian kernels of a few points with one label flipped, at conditions up to some 1e14. */
static void kernels_of_one_flipped_label(void) {
  double width;
  size_t n, flipped, i, j;
  for (n = 3; n <= 8; n++)
    for (width = 0.5; width < 200; width *= 1.5)
      for (flipped = 0; flipped < n; flipped++) {
        double K[64], y[8], a[8];
        kernel_case c;
        invman_lazy_info info;
        invman_status status;
        memset(&c, 0, sizeof c);
        c.n = n, c.K = K, c.y = y;
        for (i = 0; i < n; i++) {
          y[i] = i == flipped ? -1 : 1;
          for (j = 0; j < n; j++) K[i * n + j] = exp(-pow((double)i - (double)j, 2) / (2 * width * width));
        }
        status = invman_lazy_train(NULL, K, y, n, NULL, a, &info);
        if (kernel_condition(&c) < 1e14) CHECK(status == INVMAN_OK);
        if (status == INVMAN_OK) CHECK(kernel_missing(&c, a) <= 0);
        else CHECK(!kernel_separates(&c));
      }
}

/* ---- the engine in twofold precision by itself */

static void kernels_of_wide_numbers(void) { /* known digits, identities, exact products and sums */
  invman_i_wide third = invman_i_wide_divide(invman_i_widen(1), invman_i_widen(3)), root, one, x, y;
  invman_rng rng;
  int k;
  CHECK(third.high == 0.33333333333333331 && third.low == 1.8503717077085942e-17);
  root = invman_i_wide_root(invman_i_widen(2));
  CHECK(root.high == 1.4142135623730951 && fabs(root.low + 9.6672933134529135e-17) < 1e-31);
  CHECK(invman_i_wide_divide(invman_i_widen(1), invman_i_widen(1e-310)).high == HUGE_VAL);
  one = invman_i_two_product(1 + DBL_EPSILON, 1 - DBL_EPSILON);
  CHECK(one.high == 1 && one.low == -DBL_EPSILON * DBL_EPSILON);
  one = invman_i_two_sum(1, 1e-20);
  CHECK(one.high == 1 && one.low == 1e-20);
  invman_rng_seed(&rng, 1, 5);
  for (k = 0; k < 1000; k++) {
    x = invman_i_two_sum(invman_rng_normal(&rng), 1e-17 * invman_rng_normal(&rng));
    y = invman_i_two_sum(1 + invman_rng_uniform(&rng), 1e-17 * invman_rng_normal(&rng));
    one = invman_i_wide_subtract(invman_i_wide_multiply(invman_i_wide_divide(x, y), y), x);
    CLOSE(one.high, 0, 1e-30 * fabs(x.high));
    root = invman_i_wide_root(y);
    CLOSE(invman_i_wide_subtract(invman_i_wide_multiply(root, root), y).high, 0, 1e-30);
    one = invman_i_wide_add_product(invman_i_wide_negative(invman_i_wide_multiply(x, y)), x, y);
    CLOSE(one.high + one.low, 0, 1e-30);
    one = invman_i_wide_subtract(invman_i_wide_add(x, y), y);
    CLOSE(invman_i_wide_subtract(one, x).high, 0, 1e-30);
  }
}

static void kernels_of_wide_sums(void) { /* K x where all but 1e-13 of it cancels, on every width of vectors */
  enum { N = 61 };
  static const int widths[] = {128, 256, 512};
  double *K = random_kernel(N, N, 5), x[N], low[N], out[N], out_low[N];
  test_engine t;
  size_t i, j;
  int w;
  for (j = 0; j < N; j++) x[j] = (j % 2 ? 1 : -1) * (1 + 1e-13 * (double)j), low[j] = 1e-17 * (double)j;
  for (i = 0; i < N; i++)
    for (j = 1; j < N; j += 2) K[i * N + j] = K[i * N + j - 1]; /* columns, which is what sums are made of */
  for (i = 0; i < N; i++)
    for (j = 0; j < i; j++) K[i * N + j] = K[j * N + i];
  for (w = 0; w < 3; w++) {
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    ctx.vector_bits = widths[w];
    open_engine(&t, N, K, x, 1);
    t.scope.ctx = &ctx;
    for (i = 0; i < N; i++) out[i] = out_low[i] = 0;
    invman_i_add_kernel(&t.e, x, low, out, out_low);
    for (i = 0; i < N; i++) {
      invman_i_wide wanted = invman_i_widen(0);
      for (j = 0; j < N; j++) {
        invman_i_wide factor = invman_i_two_sum(x[j], low[j]);
        wanted = invman_i_wide_add(wanted, invman_i_wide_multiply(invman_i_widen(K[j * N + i]), factor));
      }
      CLOSE(invman_i_wide_subtract(invman_i_two_sum(out[i], out_low[i]), wanted).high, 0, 1e-28);
    }
    t.scope.ctx = NULL;
    invman_i_close(&t.scope);
  }
  free(K);
}

static void kernel_column(size_t j, double *column, void *arg) {
  const kernel_case *c = (const kernel_case *)arg;
  memcpy(column, c->K + j * c->n, c->n * sizeof *column);
}

/* Either engine alone from s = 0, on kernels that both can do: the same events, times and coefficients. */
static void kernels_by_either_engine(void) {
  size_t number, compared = 0, i;
  for (number = 0; number < 110; number++) {
    kernel_case c = kernel_make(number);
    double *a = (double *)calloc(c.n, sizeof(double)), *b = (double *)calloc(c.n, sizeof(double));
    invman_lazy_info info;
    if (kernel_condition(&c) < 1e4) {
      test_engine t;
      invman_i_exact x;
      int rest = 0;
      CHECK(invman_lazy_train(NULL, c.K, c.y, c.n, NULL, a, &info) == INVMAN_OK);
      open_engine(&t, c.n, c.K, c.y, 1 / (double)c.n);
      CHECK(invman_i_hinge_start(&t.e) == INVMAN_OK && invman_i_exact_start(&x, &t.e, b) == INVMAN_OK);
      while (!rest && t.e.events < 100 * c.n) CHECK(invman_i_exact_advance(&x, HUGE_VAL, &rest) == INVMAN_OK);
      invman_i_exact_show(&x, b);
      CHECK(rest && fabs((double)t.e.events - (double)info.events) <= 0.5 * (double)c.n); /* ties are parted or not */
      CLOSE(t.e.s, info.s, 1e-9 * info.s);
      for (i = 0; i < c.n; i++) CLOSE(b[i], a[i], 1e-9 * (fabs(a[i]) + invman_i_largest(a, c.n)));
      invman_i_close(&t.scope);
      compared++;
    }
    free(a), free(b);
    kernel_drop(&c);
  }
  CHECK(compared > 30);
}

static void kernels_by_columns(void) { /* as with the whole matrix */
  size_t number;
  for (number = 0; number < 110; number++) {
    kernel_case c = kernel_make(number);
    double *a = (double *)malloc(c.n * sizeof(double)), *b = (double *)malloc(c.n * sizeof(double));
    invman_lazy_info whole, columns;
    invman_status status = invman_lazy_train(NULL, c.K, c.y, c.n, NULL, a, &whole);
    CHECK(invman_lazy_train_columns(NULL, kernel_column, &c, c.y, c.n, NULL, b, &columns) == status);
    if (kernel_condition(&c) < 1e8) {
      CLOSE(largest_difference(a, b, c.n), 0, 1e-7 * invman_i_largest(a, c.n));
      CLOSE(columns.s, whole.s, 1e-7 * whole.s);
    }
    free(a), free(b);
    kernel_drop(&c);
  }
}

static void kernels_any_allocation_may_fail(void) { /* of the engine in twofold precision too */
  enum { N = 40 };
  double K[N * N], y[N], a[N];
  size_t budget, columns, i, j;
  kernel_case c;
  memset(&c, 0, sizeof c);
  c.n = N, c.K = K, c.y = y;
  for (i = 0; i < N; i++) {
    y[i] = i % 3 ? 1 : -1;
    for (j = 0; j < N; j++) K[i * N + j] = pow(1 - 1e-9, i < j ? (double)(j - i) : (double)(i - j));
  }
  for (columns = 0; columns < 2; columns++) {
    invman_status status = INVMAN_E_NOMEM;
    for (budget = 1; status == INVMAN_E_NOMEM && budget < 500; budget++) {
      test_heap heap;
      invman_context ctx = test_context(&heap);
      heap.budget = budget;
      status = columns ? invman_lazy_train_columns(&ctx, kernel_column, &c, y, N, NULL, a, NULL)
                       : invman_lazy_train(&ctx, K, y, N, NULL, a, NULL);
      CHECK(status == INVMAN_OK || status == INVMAN_E_NOMEM);
      CHECK(heap.blocks == 0 && heap.now == 0);
    }
    CHECK(status == INVMAN_OK && budget > 30);
  }
}

typedef struct kernel_log {
  double s, loss;
  size_t calls;
} kernel_log;

static int kernel_report(const invman_lazy_info *info, void *user) {
  kernel_log *log = (kernel_log *)user;
  CHECK(info->s >= log->s && info->loss <= log->loss + 1e-9);
  log->s = info->s;
  log->loss = info->loss;
  log->calls++;
  return 0;
}

static void kernels_report_in_order(void) { /* time goes on and loss falls, across the change of precision too */
  size_t number;
  for (number = 0; number < 110; number++) {
    kernel_case c = kernel_make(number);
    double *a = (double *)malloc(c.n * sizeof(double));
    invman_lazy_options o = no_lazy_options();
    invman_lazy_info info;
    kernel_log log;
    log.s = 0, log.loss = 1, log.calls = 0;
    o.report = kernel_report;
    o.user = &log;
    if (kernel_condition(&c) < 1e12) {
      CHECK(invman_lazy_train(NULL, c.K, c.y, c.n, &o, a, &info) == INVMAN_OK);
      CHECK(log.calls >= 2 && info.s >= log.s);
    }
    free(a);
    kernel_drop(&c);
  }
}

/* Limits are met and reports come in either precision; a kernel that is none ends too. */
static void kernels_stop_where_asked(void) {
  double K[4] = {1, 1 - 1e-13, 1 - 1e-13, 1}, y[2] = {1, -1}, a[2], gap = 1 - K[1];
  invman_lazy_options o = no_lazy_options();
  invman_lazy_info info;
  o.s_max = 1 / gap; /* half of the way */
  CHECK(invman_lazy_train(NULL, K, y, 2, &o, a, &info) == INVMAN_STOPPED && info.end == INVMAN_END_T_MAX);
  CHECK(info.s == o.s_max);
  CLOSE(a[0] * gap, 0.5, 1e-14);
  K[0] = K[3] = 1e-3; /* eigenvalues 1 and -1, nearly */
  o.s_max = 0;
  CHECK(invman_lazy_train(NULL, K, y, 2, &o, a, &info) == INVMAN_NOT_CONVERGED);
}

/* g at the margin by least squares: the least |P'(y g)| over g that are 1 below it and 0 above it. v = P'(y g) of those
   that are not at it. */
static void kernel_least_squares(const double *P, size_t r, const double *y, const double *v, double *g,
                                 const size_t *at, size_t count) {
  double *G = (double *)malloc((count * count + 2 * count) * sizeof(double)), *lambda = G + count * count;
  double *b = lambda + count;
  size_t i, j, k;
  for (i = 0; i < count; i++) {
    for (j = 0; j < count; j++)
      G[i * count + j] = y[at[i]] * y[at[j]] * invman_i_inner(P + at[i] * r, P + at[j] * r, r);
    b[i] = -y[at[i]] * invman_i_inner(P + at[i] * r, v, r);
    g[at[i]] = 0;
  }
  if (count > 0 && invman_eigh(NULL, count, G, lambda) < 0) exit(1);
  for (k = 0; k < count && lambda[k] > 1e-13 * lambda[0]; k++) {
    double along = invman_i_inner(G + k * count, b, count) / lambda[k];
    for (i = 0; i < count; i++) g[at[i]] += along * G[k * count + i];
  }
  free(G);
}

/* Is the loss of margins m the least there is for K = P P', P (n,r)? It is if P'(y g) = 0 for some g that is 1 below the
   margin, 0 above it and within [0,1] at it: found by least squares, then coordinate descent within the bounds. Returns
   what is left. */
static double kernel_dual_residual(const double *P, size_t n, size_t r, const double *y, const double *m, double tol) {
  double *v = (double *)calloc(r, sizeof(double)), *g = (double *)calloc(n, sizeof(double)), most = 0, scale = 0;
  size_t *at = (size_t *)malloc(n * sizeof(size_t)), count = 0, i, k, sweep;
  for (i = 0; i < n; i++) {
    g[i] = m[i] < 1 - tol;
    if (fabs(m[i] - 1) <= tol) at[count++] = i;
    for (k = 0; k < r; k++) v[k] += y[i] * g[i] * P[i * r + k];
    scale += g[i] * sqrt(invman_i_inner(P + i * r, P + i * r, r));
  }
  kernel_least_squares(P, r, y, v, g, at, count);
  for (i = 0; i < count; i++) {
    g[at[i]] = fmin(1, fmax(0, g[at[i]]));
    for (k = 0; k < r; k++) v[k] += y[at[i]] * g[at[i]] * P[at[i] * r + k];
  }
  for (sweep = 0; sweep < 2000; sweep++)
    for (i = 0; i < count; i++) {
      const double *row = P + at[i] * r;
      double own = invman_i_inner(row, row, r), before = g[at[i]];
      if (own > 0) g[at[i]] = fmin(1, fmax(0, before - y[at[i]] * invman_i_inner(row, v, r) / own));
      for (k = 0; k < r; k++) v[k] += y[at[i]] * (g[at[i]] - before) * row[k];
    }
  for (k = 0; k < r; k++) most = fmax(most, fabs(v[k]));
  free(v), free(g), free(at);
  return scale > 0 ? most / scale : 0;
}

/* Kernels of fewer features than points: OK, or at rest at the least loss. */
static void kernels_without_inverse(void) {
  size_t trial, separable = 0, not_converged = 0;
  int before = 0;
  for (trial = 0; trial < 600; trial++) {
    invman_rng rng;
    size_t n, r, i, j, k;
    double *P, *K, *y, *a, *m, scale, shift;
    invman_lazy_options o = no_lazy_options();
    invman_lazy_info info;
    invman_status status;
    invman_rng_seed(&rng, trial, 78);
    n = 3 + (size_t)(117 * pow(invman_rng_uniform(&rng), 2));
    r = 1 + invman_rng_next(&rng) % (n < 5 ? 2 : trial % 2 ? n / 4 + 1 : 3);
    scale = pow(10, (double)(trial % 7) * 2 - 6), shift = trial % 5 == 4 ? 10 : 0;
    P = (double *)malloc(n * r * sizeof(double)), K = (double *)malloc(n * n * sizeof(double));
    y = (double *)malloc(n * sizeof(double)), a = (double *)malloc(n * sizeof(double));
    m = (double *)malloc(n * sizeof(double));
    for (i = 0; i < n; i++) {
      for (k = 0; k < r; k++)
        P[i * r + k] = trial % 3 ? shift + invman_rng_normal(&rng) : (double)(invman_rng_next(&rng) % 7) - 3;
      if (trial % 4 == 3 && i % 3 == 2) memcpy(P + i * r, P + (i - 1) * r, r * sizeof(double)); /* equal points */
      y[i] = invman_rng_uniform(&rng) < 0.2 ? -1 : P[i * r] > shift ? 1 : -1;
    }
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++) K[i * n + j] = scale * invman_i_inner(P + i * r, P + j * r, r);
    o.margin = m;
    status = invman_lazy_train(NULL, K, y, n, &o, a, &info);
    separable += status == INVMAN_OK;
    not_converged += status == INVMAN_NOT_CONVERGED;
    if (status == INVMAN_OK) CHECK(info.margin_min >= 1 - 1e-9);
    if (status == INVMAN_NOT_SEPARABLE) {
      CHECK(info.residual < 1e-9 && info.speed < 1e-9);
      CLOSE(kernel_dual_residual(P, n, r, y, m, 1e-8), 0, 1e-10);
    }
    if (test_failures > before || status == INVMAN_NOT_CONVERGED)
      printf("  trial %lu: n = %lu, r = %lu, scale %g, shift %g, %s, margin %.12g, s %g, residual %.3g, speed %.3g\n",
             (unsigned long)trial, (unsigned long)n, (unsigned long)r, scale, shift, invman_status_string(status),
             info.margin_min, info.s, info.residual, info.speed);
    before = test_failures;
    free(P), free(K), free(y), free(a), free(m);
  }
  printf("  separable %lu, not converged %lu of 600\n", (unsigned long)separable, (unsigned long)not_converged);
  CHECK(separable > 50 && separable < 550 && not_converged < 6);
}

/* Points of scales that differ by 1e29 and more, rows of zeros, entries next to the ends of numbers. */
static void kernels_of_many_scales(void) {
  static const double far_apart[][9] = {{1, .99, 0, .99, 1, 0, 0, 0, 1e-100}, {1e29, 1e29, 0, 1e29, 1e29, 0, 0, 0, 1}};
  double none[16] = {27, 18, 15, 0, 18, 26, -4, 0, 15, -4, 41, 0, 0, 0, 0, 0}, K[1600], y[40], a[40], scale;
  static const double signs[4] = {-1, 1, -1, -1}, three[3] = {1, -1, 1};
  invman_lazy_info info;
  size_t n, i;
  CHECK(invman_lazy_train(NULL, far_apart[0], three, 3, NULL, a, &info) == INVMAN_OK);
  CLOSE(a[2] / 1e100, 1, 1e-13);
  CHECK(invman_lazy_train(NULL, far_apart[1], three, 3, NULL, a, &info) == INVMAN_NOT_SEPARABLE);
  CLOSE(info.loss, 2.0 / 3, 1e-15);
  CLOSE(a[2], 1, 1e-15);
  for (scale = 1e-6; scale < 1e7; scale *= 10) {
    for (i = 0; i < 16; i++) K[i] = scale * none[i];
    CHECK(invman_lazy_train(NULL, K, signs, 4, NULL, a, &info) == INVMAN_NOT_SEPARABLE);
    CLOSE(info.loss, 0.25, 1e-14);
    CHECK(fabs(a[3]) * scale < 10);
  }
  for (n = 1; n <= 40 && !floats_flush; n += 13) { /* s = n/K_ii, not far below the largest number */
    memset(K, 0, sizeof K);
    for (i = 0; i < n; i++) K[i * n + i] = 1.5e-308 * (double)n, y[i] = i % 2 ? 1 : -1;
    CHECK(invman_lazy_train(NULL, K, y, n, NULL, a, &info) == INVMAN_OK);
    CLOSE(a[0] * K[0], -1, 1e-14);
  }
}

static void kernels_tests(void) {
  RUN(kernels_thousand);
  RUN(kernels_of_sines);
  RUN(kernels_of_two_near_points);
  RUN(kernels_of_one_flipped_label);
  RUN(kernels_without_inverse);
  RUN(kernels_of_many_scales);
  RUN(kernels_of_wide_numbers);
  RUN(kernels_of_wide_sums);
  RUN(kernels_by_either_engine);
  RUN(kernels_by_columns);
  RUN(kernels_any_allocation_may_fail);
  RUN(kernels_report_in_order);
  RUN(kernels_stop_where_asked);
}
