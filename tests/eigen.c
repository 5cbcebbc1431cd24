/* The symmetric eigensolver: what every decomposition must be, on matrices that are hard in different ways; known
   spectra; the largest eigenvalues alone; kernel principal components; threads, memory, bad input. */

enum {
  EIGEN_RANDOM,
  EIGEN_GRADED,   /* entries from 1 to 1e-14 */
  EIGEN_REVERSED, /* and from 1e-14 to 1 */
  EIGEN_CLUSTERED,
  EIGEN_MULTIPLE,
  EIGEN_GLUED, /* Wilkinson's W21+, several times */
  EIGEN_RANK_ONE,
  EIGEN_ZERO,
  EIGEN_IDENTITY,
  EIGEN_DIAGONAL,
  EIGEN_TOEPLITZ,
  EIGEN_HILBERT,
  EIGEN_NEGATIVE,
  EIGEN_KERNEL,
  EIGEN_KINDS
};

/* A <- H A H, H the reflection by a random vector */
static void eigen_reflect(double *A, size_t n, uint64_t seed) {
  double *v = normals(n, seed), *w = normals(n, seed), vv = 0, vw = 0;
  size_t i, j;
  for (i = 0; i < n; i++) vv += v[i] * v[i];
  for (i = 0; i < n; i++) v[i] *= sqrt(2 / vv);
  for (i = 0; i < n; i++)
    for (w[i] = 0, j = 0; j < n; j++) w[i] += A[i * n + j] * v[j];
  for (i = 0; i < n; i++) vw += v[i] * w[i];
  for (i = 0; i < n; i++) w[i] -= 0.5 * vw * v[i];
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) A[i * n + j] -= v[i] * w[j] + w[i] * v[j];
  free(v), free(w);
}

static double eigen_entry(int kind, size_t n, size_t i, size_t j, double normal) { /* i <= j */
  double x = (double)i, y = (double)j, last = (double)(n > 1 ? n - 1 : 1);
  switch (kind) {
  case EIGEN_GRADED:
    return normal * pow(10, -7 * (x + y) / last);
  case EIGEN_REVERSED:
    return normal * pow(10, -7 * (2 - (x + y) / last));
  case EIGEN_CLUSTERED:
    return i != j ? 0 : (double)(i % 3) + 1e-13 * x / last;
  case EIGEN_MULTIPLE:
    return i != j ? 0 : i < n / 2 ? 2 : i < n - 1 ? -1 : 3;
  case EIGEN_GLUED:
    return i == j ? fabs((double)(i % 21) - 10) : j > i + 1 ? 0 : i % 21 == 20 ? 1e-7 : 1;
  case EIGEN_RANK_ONE:
    return (1 + x) * (1 + y);
  case EIGEN_ZERO:
    return 0;
  case EIGEN_IDENTITY:
    return i == j;
  case EIGEN_DIAGONAL:
    return i == j ? normal : 0;
  case EIGEN_TOEPLITZ:
    return i == j ? 2 : j == i + 1 ? -1 : 0;
  case EIGEN_HILBERT:
    return 1 / (x + y + 1);
  case EIGEN_NEGATIVE:
    return i == j ? -2 * (double)n : normal;
  case EIGEN_KERNEL:
    return exp(-pow((x - y) / last, 2));
  default:
    return normal;
  }
}

static double *eigen_matrix(int kind, size_t n, double scale) {
  double *A = normals(n * n, 100 + (uint64_t)kind);
  size_t i, j;
  for (i = 0; i < n; i++)
    for (j = i; j < n; j++) A[i * n + j] = eigen_entry(kind, n, i, j, A[i * n + j]);
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++) A[i * n + j] = A[j * n + i];
  if (kind == EIGEN_CLUSTERED || kind == EIGEN_MULTIPLE) {
    eigen_reflect(A, n, 7);
    eigen_reflect(A, n, 8);
    for (i = 0; i < n; i++)
      for (j = 0; j < i; j++) A[i * n + j] = A[j * n + i];
  }
  for (i = 0; i < n * n; i++) A[i] *= scale;
  return A;
}

typedef struct eigen_errors {
  double residual, orthogonality; /* the largest |A v - lambda v| and |V V' - 1| */
  int descending, signs;
} eigen_errors;

/* Of k vectors; `norm` is |A|, by which everything is divided before it is squared. */
static eigen_errors eigen_measure(const double *A, size_t n, size_t k, const double *lambda, const double *V,
                                  double norm) {
  eigen_errors worst = {0, 0, 1, 1};
  size_t i, j, l;
  for (i = 0; i < k; i++) {
    const double *v = V + i * n;
    double square = 0;
    size_t at = 0;
    for (j = 0; j < n; j++) {
      double sum = -lambda[i] / norm * v[j];
      for (l = 0; l < n; l++) sum += A[j * n + l] / norm * v[l];
      square += sum * sum;
    }
    worst.residual = invman_i_worst(worst.residual, sqrt(square));
    for (j = 0; j <= i; j++) {
      double sum = -(double)(i == j);
      for (l = 0; l < n; l++) sum += v[l] * V[j * n + l];
      worst.orthogonality = invman_i_worst(worst.orthogonality, fabs(sum));
    }
    for (l = 1; l < n; l++)
      if (fabs(v[l]) > fabs(v[at])) at = l;
    if (!(v[at] > 0)) worst.signs = 0;
    if (i > 0 && !(lambda[i - 1] >= lambda[i])) worst.descending = 0;
  }
  return worst;
}

static double eigen_norm(const double *lambda, size_t n) {
  double norm = fmax(fabs(lambda[0]), fabs(lambda[n - 1]));
  return norm > 0 ? norm : 1;
}

#define EIGEN_CHECK(condition, kind, n)                                                                            \
  do {                                                                                                             \
    if (!(condition)) test_fail(__FILE__, __LINE__, "kind %d, n = %lu: %s", kind, (unsigned long)(n), #condition); \
  } while (0)

/* eigh and eigvalsh of A, of which the lower triangle must not be read; lambda, V: out */
static void eigen_check(const invman_context *ctx, int kind, const double *A, size_t n, double *lambda, double *V) {
  double *copy = (double *)malloc(n * n * sizeof(double)), *values = (double *)malloc(n * sizeof(double));
  double norm, tol = 1e-15 * (double)(n + 10), trace = 0, square = 0, trace_of = 0, square_of = 0;
  eigen_errors worst;
  size_t i, j;
  for (i = 0; i < n * n; i++) V[i] = copy[i] = i / n > i % n ? NAN : A[i];
  EIGEN_CHECK(invman_eigh(ctx, n, V, lambda) == INVMAN_OK, kind, n);
  EIGEN_CHECK(invman_eigvalsh(ctx, n, copy, values) == INVMAN_OK, kind, n);
  norm = eigen_norm(lambda, n);
  worst = eigen_measure(A, n, n, lambda, V, norm);
  EIGEN_CHECK(worst.residual <= tol, kind, n);
  EIGEN_CHECK(worst.orthogonality <= tol, kind, n);
  EIGEN_CHECK(worst.descending && worst.signs, kind, n);
  for (i = 0; i < n; i++) {
    trace += lambda[i] / norm;
    square += lambda[i] / norm * (lambda[i] / norm);
    trace_of += A[i * n + i] / norm;
    for (j = 0; j < n; j++) square_of += A[i * n + j] / norm * (A[i * n + j] / norm);
    EIGEN_CHECK(fabs(values[i] - lambda[i]) <= tol * norm, kind, n);
    EIGEN_CHECK(i == 0 || values[i - 1] >= values[i], kind, n);
  }
  EIGEN_CHECK(fabs(trace - trace_of) <= tol * sqrt((double)n), kind, n);
  EIGEN_CHECK(fabs(square - square_of) <= tol * (1 + square_of), kind, n);
  free(copy), free(values);
}

typedef struct eigen_operator {
  const double *A;
  size_t products;
  size_t bad; /* the product whose element 1 is not finite; 0: none */
} eigen_operator;

static void eigen_apply(const double *x, double *y, size_t n, void *arg) {
  eigen_operator *op = (eigen_operator *)arg;
  size_t i;
  for (i = 0; i < n; i++) y[i] = invman_i_inner(op->A + i * n, x, n);
  if (++op->products == op->bad) y[1] = NAN;
}

/* The k largest of A, whose eigenvalues are lambda */
static void eigen_check_top(int kind, const double *A, size_t n, size_t k, const double *lambda) {
  double *V = (double *)malloc(k * n * sizeof(double)), *values = (double *)malloc(k * sizeof(double));
  double norm = eigen_norm(lambda, n), tol = 2e-14 + 1e-15 * (double)n;
  eigen_operator op = {A, 0, 0};
  eigen_errors worst;
  size_t i;
  EIGEN_CHECK(invman_eigh_top(NULL, n, k, eigen_apply, &op, 0, values, V) == INVMAN_OK, kind, n);
  worst = eigen_measure(A, n, k, values, V, norm);
  EIGEN_CHECK(worst.residual <= tol, kind, n);
  EIGEN_CHECK(worst.orthogonality <= tol, kind, n);
  EIGEN_CHECK(worst.descending && worst.signs, kind, n);
  for (i = 0; i < k; i++) EIGEN_CHECK(fabs(values[i] - lambda[i]) <= tol * norm, kind, n);
  free(V), free(values);
}

static void eigen_try(int kind, size_t n, double scale, int top) {
  double *A = eigen_matrix(kind, n, scale), *V = (double *)malloc(n * n * sizeof(double));
  double *lambda = (double *)malloc(n * sizeof(double));
  eigen_check(NULL, kind, A, n, lambda, V);
  if (top) {
    eigen_check_top(kind, A, n, 1, lambda);
    eigen_check_top(kind, A, n, (n + 3) / 4, lambda);
    if (n < 100) eigen_check_top(kind, A, n, n, lambda);
  }
  free(A), free(V), free(lambda);
}

static void eigen_small(void) {
  size_t n;
  int kind;
  for (kind = 0; kind < EIGEN_KINDS; kind++)
    for (n = 1; n <= 40; n += n < 10 ? 1 : 5) eigen_try(kind, n, 1, 1);
  for (n = 11; n <= 40; n++) eigen_try(EIGEN_RANDOM, n, 1, 0);
}

static void eigen_sizes(void) { /* around panels, leaves and blocks of reflections */
  static const size_t sizes[] = {63, 64, 65, 66, 100, 127, 128, 129, 130};
  size_t k;
  int kind;
  for (k = 0; k < sizeof sizes / sizeof *sizes; k++) eigen_try(EIGEN_RANDOM, sizes[k], 1, 0);
  for (kind = 0; kind < EIGEN_KINDS; kind++) eigen_try(kind, 100, 1, 1);
  for (kind = 0; kind < EIGEN_KINDS; kind++) eigen_try(kind, 66, 1, 0);
}

static void eigen_large(void) {
  eigen_try(EIGEN_RANDOM, 200, 1, 0);
  eigen_try(EIGEN_RANDOM, 257, 1, 0);
  eigen_try(EIGEN_GLUED, 210, 1, 1);
  eigen_try(EIGEN_MULTIPLE, 200, 1, 1);
  eigen_try(EIGEN_GRADED, 200, 1, 0);
#ifndef TEST_QUICK
  eigen_try(EIGEN_RANDOM, 600, 1, 1); /* more than a block of secular vectors */
  eigen_try(EIGEN_GLUED, 630, 1, 0);
  eigen_try(EIGEN_KERNEL, 600, 1, 1);
#endif
}

static void eigen_scaled(void) {
  static const double scales[] = {1e300, 1e-300, 1e306};
  static const int kinds[] = {EIGEN_RANDOM, EIGEN_NEGATIVE, EIGEN_MULTIPLE, EIGEN_GRADED};
  size_t k, j;
  for (k = 0; k < 3; k++)
    for (j = 0; j < 4; j++)
      if (!floats_lost(scales[k])) eigen_try(kinds[j], 40, scales[k], 1);
  if (!floats_flush) { /* numbers without all their bits are exact multiples of the smallest one */
    double A[4] = {3 * 4.94e-324, 4.94e-324, 4.94e-324, 3 * 4.94e-324}, lambda[2];
    CHECK(invman_eigh(NULL, 2, A, lambda) == INVMAN_OK && lambda[0] == 4 * 4.94e-324 && lambda[1] == 2 * 4.94e-324);
  }
}

static void eigen_widths(void) {
  static const int bits[] = {512, 256, 128};
  size_t k;
  for (k = 0; k < 3; k++) {
    double *A = eigen_matrix(EIGEN_RANDOM, 90, 1), V[8100], lambda[90];
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    ctx.vector_bits = bits[k];
    eigen_check(&ctx, EIGEN_RANDOM, A, 90, lambda, V);
    free(A);
  }
}

static void eigen_closed_forms(void) {
  double one[1] = {-3}, two[4] = {1, 2, 0, -2}, lambda[100], *A;
  const double pi = 3.14159265358979323846;
  size_t n, k;
  CHECK(invman_eigh(NULL, 1, one, lambda) == INVMAN_OK && lambda[0] == -3 && one[0] == 1);
  /* (1 2; 2 -2): eigenvalues 2 and -3, vectors (2, 1)/sqrt(5) and (-1, 2)/sqrt(5) */
  CHECK(invman_eigh(NULL, 2, two, lambda) == INVMAN_OK);
  CLOSE(lambda[0], 2, 1e-15);
  CLOSE(lambda[1], -3, 1e-15);
  CLOSE(two[0], 2 / sqrt(5.0), 1e-15);
  CLOSE(two[1], 1 / sqrt(5.0), 1e-15);
  CLOSE(two[2], -1 / sqrt(5.0), 1e-15);
  CLOSE(two[3], 2 / sqrt(5.0), 1e-15);
  for (n = 2; n <= 100; n += 49) {
    A = eigen_matrix(EIGEN_TOEPLITZ, n, 1);
    CHECK(invman_eigh(NULL, n, A, lambda) == INVMAN_OK);
    for (k = 0; k < n; k++) {
      CLOSE(lambda[k], 2 - 2 * cos((double)(n - k) * pi / (double)(n + 1)), 1e-14);
      CLOSE(fabs(A[k * n]), sqrt(2 / (double)(n + 1)) * sin((double)(n - k) * pi / (double)(n + 1)), 1e-13);
    }
    free(A);
  }
  A = eigen_matrix(EIGEN_RANK_ONE, 30, 1);
  CHECK(invman_eigh(NULL, 30, A, lambda) == INVMAN_OK);
  CLOSE(lambda[0], 30 * 31 * 61 / 6.0, 1e-11); /* 1 + 4 + .. + 900 */
  for (k = 1; k < 30; k++) CLOSE(lambda[k], 0, 1e-11);
  for (k = 0; k < 30; k++) CLOSE(A[k], (double)(k + 1) / sqrt(30 * 31 * 61 / 6.0), 1e-14);
  free(A);
  A = eigen_matrix(EIGEN_HILBERT, 5, 1); /* its determinant is 1/266716800000 */
  CHECK(invman_eigh(NULL, 5, A, lambda) == INVMAN_OK);
  CLOSE(lambda[0] * lambda[1] * lambda[2] * lambda[3] * lambda[4] * 266716800000.0, 1, 1e-9);
  free(A);
}

static void eigen_leaves(void) { /* the same spectrum however small the blocks that are solved by QL */
  static const size_t leaves[] = {1, 2, 5, 200};
  size_t n = 90, k, i;
  int kind;
  for (kind = 0; kind < EIGEN_KINDS; kind++)
    for (k = 0; k < 4; k++) {
      double *A = eigen_matrix(kind, n, 1), *V = eigen_matrix(kind, n, 1), lambda[90], other[90];
      eigen_errors worst;
      CHECK(invman_i_eigh(NULL, n, V, lambda, leaves[k]) == INVMAN_OK);
      worst = eigen_measure(A, n, n, lambda, V, eigen_norm(lambda, n));
      EIGEN_CHECK(worst.residual <= 1e-13 && worst.orthogonality <= 1e-13 && worst.descending, kind, leaves[k]);
      CHECK(invman_eigvalsh(NULL, n, A, other) == INVMAN_OK);
      for (i = 0; i < n; i++) EIGEN_CHECK(fabs(lambda[i] - other[i]) <= 1e-13 * eigen_norm(lambda, n), kind, n);
      free(A), free(V);
    }
}

static void eigen_top_multiple(void) { /* of an eigenvalue that comes many times, one start vector sees one vector */
  size_t n = 120, k, i;
  double *A = eigen_matrix(EIGEN_ZERO, n, 1), *V = normals(n * n, 1), lambda[120];
  eigen_operator op = {A, 0, 0};
  for (i = 0; i < n; i++) A[i * n + i] = i < 3 ? 2 : i < 60 ? 1 : 1e-3 * (double)i;
  for (k = 1; k <= n; k += k < 5 ? 1 : 23) {
    CHECK(invman_eigh_top(NULL, n, k, eigen_apply, &op, 0, lambda, V) == INVMAN_OK);
    for (i = 0; i < k; i++) CLOSE(lambda[i], i < 3 ? 2 : i < 60 ? 1 : 1e-3 * (double)(179 - i), 1e-13);
  }
  /* Products counted: the identity is known after one look, and one more at what is left. */
  for (i = 0; i < n; i++) A[i * n + i] = 1;
  op.products = 0;
  CHECK(invman_eigh_top(NULL, n, 2, eigen_apply, &op, 0, lambda, V) == INVMAN_OK);
  CHECK(op.products <= 10 && fabs(lambda[0] - lambda[1]) <= 1e-15);
  free(A), free(V);
}

/* ---- The largest eigenvalues where they are multiple or close: right, or not OK. */

/* A = H D H, H the reflection by v, or D alone where v is NULL: its eigenvalues are d's. */
typedef struct eigen_spectrum {
  const double *d, *v;
  size_t products;
} eigen_spectrum;

static void eigen_turn(double *y, const double *v, size_t n) { /* y <- y - 2 v v'y, |v| = 1 */
  double part = v ? 2 * invman_i_inner(v, y, n) : 0;
  size_t i;
  for (i = 0; v && i < n; i++) y[i] -= part * v[i];
}

static void eigen_spectrum_apply(const double *x, double *y, size_t n, void *arg) {
  eigen_spectrum *op = (eigen_spectrum *)arg;
  size_t i;
  op->products++;
  memcpy(y, x, n * sizeof *y);
  eigen_turn(y, op->v, n);
  for (i = 0; i < n; i++) y[i] *= op->d[i];
  eigen_turn(y, op->v, n);
}

static int eigen_descending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? 1 : x > y ? -1 : 0;
}

/* Are the k largest of d found? -1: no, and not OK; 0: no, with OK; 1: yes, each within `error` of |A|, with residuals of
   no more than tol |A| (and what rounding adds), orthogonal. */
static int eigen_found(const double *d, const double *v, size_t n, size_t k, double tol, double error,
                       size_t *products) {
  double *V = (double *)malloc(k * n * sizeof(double)), *w = (double *)malloc(n * sizeof(double));
  double *sorted = (double *)malloc(n * sizeof(double)), lambda[32], norm;
  eigen_spectrum op = {d, v, 0};
  size_t i, j, l;
  int good = 1;
  memcpy(sorted, d, n * sizeof *d);
  qsort(sorted, n, sizeof *sorted, eigen_descending);
  norm = eigen_norm(sorted, n);
  if (invman_eigh_top(NULL, n, k, eigen_spectrum_apply, &op, tol, lambda, V) != INVMAN_OK) good = -1;
  *products += op.products;
  for (i = 0; good == 1 && i < k; i++) {
    eigen_spectrum_apply(V + i * n, w, n, &op);
    for (l = 0; l < n; l++) w[l] = w[l] / norm - lambda[i] / norm * V[i * n + l];
    if (!(sqrt(invman_i_inner(w, w, n)) <= fmax(tol, 1e-14) + 3e-15)) good = 0;
    if (!(fabs(lambda[i] - sorted[i]) <= error * norm)) good = 0;
    for (j = 0; j <= i; j++) {
      double part = invman_i_inner(V + i * n, V + j * n, n);
      if (!(fabs(part - (double)(i == j)) <= 1e-13)) good = 0;
    }
  }
  free(V), free(w), free(sorted);
  return good;
}

static double eigen_bulk(int kind, double x, double u, double normal) { /* what lies below; x, u in [0,1] */
  switch (kind) {
  case 0:
    return 0.9 * x;
  case 1:
    return 0.99 * u;
  case 2:
    return pow(10, -12 * u);
  case 3:
    return normal / 8;
  case 4:
    return 0;
  case 5:
    return u < 0.3 ? 0.3 : 0.7;
  case 6:
    return 1.9 * u - 1;
  default:
    return 0.95 * pow(1 + 200 * x, -1.5);
  }
}

/* 1 to 4 eigenvalues at the top, of multiplicities 1 to 8 and gaps of 1e-1 to 1e-6, above one of eight spectra, which is
   cut off there: for odd kinds so that the cut itself is a multiple eigenvalue */
static double *eigen_random_spectrum(invman_rng *rng, int kind, size_t n) {
  double *d = (double *)malloc(n * sizeof(double)), top = 1;
  size_t levels = 1 + (size_t)(4 * invman_rng_uniform(rng)), at = 0, i, m;
  for (; levels > 0; levels--) {
    m = 1 + (size_t)(8 * invman_rng_uniform(rng));
    for (i = 0; i < m && at < n; i++) d[at++] = top;
    top -= pow(10, -1 - 5 * invman_rng_uniform(rng));
  }
  for (i = at; i < n; i++) {
    d[i] = eigen_bulk(kind, (double)i / (double)n, invman_rng_uniform(rng), invman_rng_normal(rng));
    if (d[i] > top) d[i] = kind % 2 ? top : 0.999 * top * invman_rng_uniform(rng);
  }
  return d;
}

static void eigen_top_spectra(void) {
#ifdef TEST_QUICK
  enum { SPECTRA = 300 };
#else
  enum { SPECTRA = TEST_WHOLE ? 1000 : 500 };
#endif
  static const double tols[] = {0, 0, 1e-9, 1e-6};
  size_t t, products = 0, open = 0;
  for (t = 0; t < SPECTRA; t++) {
    invman_rng rng;
    int kind = (int)(t % 8), found;
    size_t n, k, i;
    double *d, *v = NULL, tol = tols[t / 8 % 4], square;
    invman_rng_seed(&rng, t, 77);
    n = (size_t)(10 * pow(t % 100 == 99 ? 2000 : 50, invman_rng_uniform(&rng))); /* 1 in 100: up to 20,000 */
    k = invman_i_min(n, 1 + (size_t)(20 * invman_rng_uniform(&rng)));
    d = eigen_random_spectrum(&rng, kind, n);
    if (t / 32 % 2) {
      v = normals(n, t);
      square = sqrt(invman_i_inner(v, v, n));
      for (i = 0; i < n; i++) v[i] /= square;
    }
    found = eigen_found(d, v, n, k, tol, fmax(2e-13, tol), &products);
    open += found < 0;
    if (found == 0)
      test_fail(__FILE__, __LINE__, "spectrum %lu, n = %lu: wrong, with OK", (unsigned long)t, (unsigned long)n);
    free(d), free(v);
  }
  CHECK(open <= SPECTRA / 50);
  CHECK(products < 125 * SPECTRA);
}

/* m eigenvalues `top`, 0.999 `top`, and evenly spaced ones from 0.9 `top` to `last` */
static double *eigen_dense(size_t n, size_t m, double top, double last) {
  double *d = (double *)malloc(n * sizeof(double));
  size_t i, rest = n - m - 1;
  for (i = 0; i < n; i++)
    d[i] = i < m ? top : i == m ? 0.999 * top : last + (0.9 * top - last) * (double)(i - m) / (double)rest;
  return d;
}

static void eigen_top_dense(void) { /* a copy of the largest shows itself only late where much lies just below */
  static const size_t sizes[] = {103, 120, 2000, 5000, 20000};
  size_t s, m, k, products = 0;
  for (s = 0; s < 5; s++)
    for (m = 1; m <= 8; m += sizes[s] > 2000 ? 7 : m < 4 ? 1 : 2)
      for (k = 1; k <= m + 1; k += sizes[s] > 2000 ? m : 1) {
        double *d = eigen_dense(sizes[s], m, 1, 0);
        EIGEN_CHECK(eigen_found(d, NULL, sizes[s], k, 0, 1e-13, &products) == 1, (int)m, sizes[s]);
        free(d);
      }
}

static void eigen_top_scaled(void) { /* any scale, any sign */
  static const double tops[] = {1e150, 1e-150, 3, -1e-150, -1, -1e150};
  size_t j, k, products = 0;
  for (j = 0; j < 6; j++)
    for (k = 1; k <= 4; k++) {
      double *d = eigen_dense(400, 2, tops[j], tops[j] < 0 ? 2 * tops[j] : -0.5 * tops[j]);
      EIGEN_CHECK(eigen_found(d, NULL, 400, k, 0, 1e-13, &products) == 1, (int)j, k);
      free(d);
    }
}

static void eigen_top_exhausted(void) { /* few different eigenvalues: the space ends before the basis is full */
  size_t n, k, i, products = 0;
  int kind;
  for (n = 10; n <= 300; n += 58)
    for (kind = 0; kind < 6; kind++)
      for (k = 1; k <= 10; k++) {
        double *d = normals(n, n);
        for (i = 0; i < n; i++)
          d[i] = kind == 0   ? 0
                 : kind == 1 ? 1
                 : kind == 2 ? (double)(i < n / 2)
                 : kind == 3 ? (i < k ? 0 : -1 - (double)i) /* zero comes k times, above the rest */
                 : kind == 4 ? (i < 3 ? 3 - (double)i : 0)  /* of rank 3 */
                             : -(double)(i % 3);
        EIGEN_CHECK(eigen_found(d, NULL, n, k, 0, 1e-13, &products) == 1, kind, n);
        free(d);
      }
}

/* `parts` equal circulant graphs of m points, neighbours at distances 1 .. reach, and what A adds to its diagonal */
typedef struct eigen_graph {
  size_t m, reach;
  double diagonal;
} eigen_graph;

static void eigen_graph_apply(const double *x, double *y, size_t n, void *arg) {
  const eigen_graph *g = (const eigen_graph *)arg;
  size_t i, j, l;
  for (i = 0; i < n; i += g->m)
    for (j = 0; j < g->m; j++) {
      double sum = g->diagonal * x[i + j];
      for (l = 1; l <= g->reach; l++) sum += x[i + (j + l) % g->m] + x[i + (j + g->m - l) % g->m];
      y[i + j] = sum;
    }
}

static void eigen_graph_values(const eigen_graph *g, size_t parts, double *values) { /* descending */
  size_t i, j, l;
  for (j = 0; j < g->m; j++) {
    double sum = g->diagonal;
    for (l = 1; l <= g->reach; l++) sum += 2 * cos(2 * 3.14159265358979323846 * (double)(j * l) / (double)g->m);
    for (i = 0; i < parts; i++) values[i * g->m + j] = sum;
  }
  qsort(values, parts * g->m, sizeof *values, eigen_descending);
}

static void eigen_top_graphs(void) { /* as many copies as there are parts, and twice that below the top */
  size_t reach, parts, k, i, j, m = 67, wrong = 0, wrong_kernel = 0;
  for (reach = 2; reach <= 6; reach++)
    for (parts = 2; parts <= 5; parts++) {
      eigen_graph g = {0, 0, 0};
      size_t n = parts * m;
      double *values = (double *)malloc(n * sizeof(double)), *K = normals(n * n, 1), *V = normals(20 * n, 1), *x;
      double lambda[20], tol = 1e-13 * (double)n * (4 * (double)reach);
      g.m = m, g.reach = reach, g.diagonal = 2 * (double)reach;
      eigen_graph_values(&g, parts, values);
      x = (double *)calloc(n, sizeof(double));
      for (i = 0; i < n; i++) {
        x[i] = 1;
        eigen_graph_apply(x, K + i * n, n, &g);
        x[i] = 0;
      }
      for (k = 1; k <= 8; k++) {
        CHECK(invman_eigh_top(NULL, n, k, eigen_graph_apply, &g, 0, lambda, V) == INVMAN_OK);
        for (j = 0; j < k; j++) wrong += !(fabs(lambda[j] - values[j]) <= tol);
        CHECK(invman_kernel_pca(NULL, K, NULL, n, k, lambda, V, NULL) == INVMAN_OK);
        for (j = 0; j < k; j++) wrong_kernel += !(fabs(lambda[j] - values[j]) <= tol);
      }
      free(values), free(K), free(V), free(x);
    }
  CHECK(wrong == 0 && wrong_kernel == 0);
}

static void eigen_top_cost(void) { /* products on tangent kernels; `usual`: without the proof that nothing is left */
  static const struct {
    size_t d, k, usual;
  } cases[] = {{2, 5, 25}, {2, 10, 35}, {5, 1, 20}, {5, 3, 25}, {5, 5, 25}, {5, 10, 45}, {10, 3, 40}, {10, 10, 35}};
  size_t n = 512, c;
  double *K = normals(n * n, 1), *V = normals(10 * n, 1), lambda[10];
  for (c = 0; c < sizeof cases / sizeof *cases; c++) {
    invman_data_model stripe;
    invman_data points;
    invman_rng rng;
    eigen_operator op = {K, 0, 0};
    memset(&stripe, 0, sizeof stripe);
    stripe.d = cases[c].d;
    invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
    CHECK(invman_data_sample(NULL, &stripe, n, &rng, &points) == INVMAN_OK);
    CHECK(invman_ntk_gram_infinite(NULL, stripe.d, INVMAN_NTK_ALL, points.x, n, NULL, 0, K) == INVMAN_OK);
    CHECK(invman_eigh_top(NULL, n, cases[c].k, eigen_apply, &op, 0, lambda, V) == INVMAN_OK);
    EIGEN_CHECK(10 * op.products <= 13 * cases[c].usual, (int)stripe.d, cases[c].k);
    invman_data_free(NULL, &points);
  }
  free(K), free(V);
}

static void eigen_top_tolerance(void) {
  size_t n = 150, i;
  double *A = eigen_matrix(EIGEN_RANDOM, n, 1), *V = normals(5 * n, 1), lambda[5], tol;
  size_t before = SIZE_MAX;
  for (tol = 1e-300; tol < 1e-3; tol = tol < 1e-14 ? 1e-14 : tol * 1e5) { /* looser is cheaper, and kept */
    eigen_operator op = {A, 0, 0};
    eigen_errors worst;
    CHECK(invman_eigh_top(NULL, n, 5, eigen_apply, &op, tol, lambda, V) == INVMAN_OK);
    worst = eigen_measure(A, n, 5, lambda, V, lambda[0]);
    CHECK(worst.residual <= 1.3 * fmax(tol, 2e-14) && worst.orthogonality <= 1e-13);
    CHECK(op.products <= before);
    if (before < SIZE_MAX && tol > 1e-6) CHECK(op.products < before);
    before = op.products;
  }
#ifndef TEST_QUICK
  { /* eigenvalues so close at the top that 300 restarts are not enough */
    eigen_operator op;
    free(A), free(V);
    n = 700;
    A = eigen_matrix(EIGEN_ZERO, n, 1), V = normals(n, 1);
    for (i = 0; i < n; i++) A[i * n + i] = 1 - pow((double)i / (double)n, 3);
    op.A = A, op.products = op.bad = 0;
    CHECK(invman_eigh_top(NULL, n, 1, eigen_apply, &op, 0, lambda, V) == INVMAN_NOT_CONVERGED);
    CLOSE(lambda[0], 1, 1e-4);
  }
#endif
  (void)i;
  free(A), free(V);
}

static void eigen_golden(void) {
  const char *path = GOLDEN "spectrum.txt";
  double *K = golden(path, "K", 2500), *wanted = golden(path, "eigenvalues", 50), *y = golden(path, "y", 50);
  double *omega2 = golden(path, "omega2", 50), *V = golden(path, "K", 2500), lambda[50], share[50], sum = 0;
  size_t i, j, r;
  CHECK(invman_eigh(NULL, 50, V, lambda) == INVMAN_OK);
  for (i = 0; i < 50; i++) CLOSE(lambda[i], wanted[i], 1e-12 * wanted[0]);
  for (r = 1; r <= 50; r += r < 3 ? 1 : 47) { /* by products, and all of them */
    memset(lambda, 0, sizeof lambda);
    memset(share, 0, sizeof share);
    CHECK(invman_kernel_pca(NULL, K, y, 50, r, lambda, V, share) == INVMAN_OK);
    for (i = 0; i < r; i++) {
      double square = 0, image = 0;
      CLOSE(lambda[i], wanted[i], 1e-12 * wanted[0]);
      CLOSE(share[i], omega2[i], 1e-11);
      for (j = 0; j < 50; j++) square += V[50 * i + j] * V[50 * i + j] / 50;
      for (j = 0; j < 50; j++) image += K[j] * V[50 * i + j];
      CLOSE(square, 1, 1e-13);
      CLOSE(image, lambda[i] * V[50 * i], 1e-12 * wanted[0]);
    }
    CHECK(invman_kernel_pca(NULL, K, NULL, 50, r, NULL, NULL, NULL) == INVMAN_OK);
    CHECK(invman_kernel_pca(NULL, K, y, 50, r, NULL, NULL, share) == INVMAN_OK);
    CLOSE(share[0], omega2[0], 1e-11);
  }
  for (i = 0; i < 50; i++) sum += share[i];
  CLOSE(sum, 1, 1e-13); /* the labels' mean square */
  free(K), free(wanted), free(y), free(omega2), free(V);
}

static void eigen_backwards(size_t tasks, void (*task)(size_t, void *), void *arg, void *user) {
  ++*(size_t *)user;
  while (tasks > 0) task(--tasks, arg);
}

static void eigen_diagonal(const double *x, double *y, size_t n, void *arg) {
  size_t i;
  (void)arg;
  for (i = 0; i < n; i++) y[i] = x[i] / (double)(1 + i);
}

static void eigen_threads(void) { /* the same bits, in whatever order the tasks are done */
#ifdef INVMAN_USE_CBLAS
  test_skip("with BLAS the order of sums is its own");
#else
  size_t n = 520, large = 6000, k = 12, calls = 0, before;
  double *A = eigen_matrix(EIGEN_RANDOM, n, 1), *B = eigen_matrix(EIGEN_RANDOM, n, 1), *K, *y = normals(n, 1);
  double *a = normals(large * k, 1), *b = normals(large * k, 2), va[520], vb[520];
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = eigen_backwards;
  ctx.user = &calls;
  CHECK(invman_eigh(NULL, n, A, va) == INVMAN_OK && invman_eigh(&ctx, n, B, vb) == INVMAN_OK);
  CHECK(calls > 100 && same_bits(A, B, n * n) && same_bits(va, vb, n));
  free(A), free(B);
  A = eigen_matrix(EIGEN_RANDOM, n, 1), B = eigen_matrix(EIGEN_RANDOM, n, 1);
  CHECK(invman_eigvalsh(NULL, n, A, va) == INVMAN_OK && invman_eigvalsh(&ctx, n, B, vb) == INVMAN_OK);
  CHECK(same_bits(va, vb, n));
  before = calls;
  CHECK(invman_eigh_top(NULL, large, k, eigen_diagonal, NULL, 1e-6, va, a) == INVMAN_OK);
  CHECK(invman_eigh_top(&ctx, large, k, eigen_diagonal, NULL, 1e-6, vb, b) == INVMAN_OK);
  CHECK(calls > before && same_bits(a, b, large * k) && same_bits(va, vb, k));
  for (before = 0; before < k; before++) {
    CLOSE(va[before], 1 / (double)(1 + before), 1e-11);
    CLOSE(a[before * large + before], 1, 1e-5);
  }
  K = eigen_matrix(EIGEN_KERNEL, n, 1);
  CHECK(invman_kernel_pca(NULL, K, NULL, n, 3, va, a, NULL) == INVMAN_OK);
  CHECK(invman_kernel_pca(&ctx, K, NULL, n, 3, vb, b, NULL) == INVMAN_OK);
  CHECK(same_bits(a, b, 3 * n) && same_bits(va, vb, 3));
  free(A), free(B), free(K), free(a), free(b), free(y);
#endif
}

static invman_status eigen_call(const invman_context *ctx, int which, double *A, size_t n, double *V, double *lambda) {
  eigen_operator op = {A, 0, 0};
  memcpy(V, A, n * n * sizeof(double));
  if (which == 0) return invman_eigh(ctx, n, V, lambda);
  if (which == 1) return invman_eigvalsh(ctx, n, V, lambda);
  if (which == 2) return invman_eigh_top(ctx, n, 5, eigen_apply, &op, 0, lambda, V);
  return invman_kernel_pca(ctx, A, NULL, n, which == 3 ? 3 : n, lambda, NULL, NULL);
}

static void eigen_memory(void) { /* every allocation fails once; nothing is lost, and no more is taken than promised */
  size_t n = 70;
  double *A = eigen_matrix(EIGEN_RANDOM, n, 1), *V = normals(n * n, 1), lambda[600];
  int which;
  for (which = 0; which < 5; which++) {
    test_heap heap;
    invman_context ctx = test_context(&heap);
    invman_status status = INVMAN_E_NOMEM;
    size_t budget;
    for (budget = 1; status != INVMAN_OK && budget < 10000; budget += budget < 60 ? 1 : 97) {
      ctx = test_context(&heap);
      heap.budget = budget;
      status = eigen_call(&ctx, which, A, n, V, lambda);
      CHECK(status == INVMAN_OK || status == INVMAN_E_NOMEM);
      CHECK(heap.blocks == 0 && heap.now == 0);
    }
    CHECK(status == INVMAN_OK && budget > 2);
  }
  free(A), free(V);
  {
    test_heap heap;
    invman_context ctx = test_context(&heap);
    double more;
    n = 600;
    A = eigen_matrix(EIGEN_TOEPLITZ, n, 1);
    CHECK(invman_eigh(&ctx, n, A, lambda) == INVMAN_OK);
    more = (double)heap.peak / 8 - 2.1 * (double)(n * n);
    CHECK(more < 1300 * (double)n + 1e5); /* the rest grows with n alone */
    free(A);
  }
}

static int eigen_stop(const char *stage, double done, void *user) {
  CHECK(strcmp(stage, "eigh_top") == 0 && done <= 1);
  return --*(int *)user <= 0;
}

static void eigen_stopped(void) {
  size_t n = 60, i;
  double *A = eigen_matrix(EIGEN_RANDOM, n, 1), *V = normals(5 * n, 1), lambda[5];
  int left;
  for (left = 1; left < 12; left += 5) {
    eigen_operator op = {A, 0, 0};
    invman_context ctx;
    int steps = left;
    memset(&ctx, 0, sizeof ctx);
    ctx.progress = eigen_stop;
    ctx.user = &steps;
    CHECK(invman_eigh_top(&ctx, n, 5, eigen_apply, &op, 0, lambda, V) == INVMAN_STOPPED);
    CHECK(op.products == (size_t)left);
    for (i = 0; i < 5; i++) { /* as many pairs as there were steps; the others are zero */
      double square = invman_i_inner(V + i * n, V + i * n, n);
      CLOSE(square, (int)i < left ? 1 : 0, 1e-13);
      CHECK((lambda[i] != 0) == ((int)i < left));
    }
  }
  free(A), free(V);
}

static void eigen_bad_input(void) {
  invman_error error;
  invman_context ctx;
  double A[16], y[4] = {1, -1, 1, 1}, lambda[4], V[16], omega2[4];
  eigen_operator op = {A, 0, 0};
  size_t k;
  memset(&ctx, 0, sizeof ctx);
  memset(&error, 0, sizeof error);
  ctx.error = &error;
  CHECK(invman_eigh(&ctx, 0, NULL, NULL) == INVMAN_OK && invman_eigvalsh(&ctx, 0, NULL, NULL) == INVMAN_OK);
  CHECK(invman_eigh_top(&ctx, 0, 0, NULL, NULL, 0, NULL, NULL) == INVMAN_OK);
  CHECK(invman_kernel_pca(&ctx, NULL, NULL, 0, 0, NULL, NULL, NULL) == INVMAN_OK);
  CHECK(invman_eigh(&ctx, 4, NULL, lambda) == INVMAN_E_ARG && invman_eigh(&ctx, 4, A, NULL) == INVMAN_E_ARG);
  CHECK(invman_eigvalsh(&ctx, 4, NULL, lambda) == INVMAN_E_ARG && invman_eigvalsh(&ctx, 4, A, NULL) == INVMAN_E_ARG);
  for (k = 0; k < 16; k++) {
    size_t i;
    invman_status wanted = k / 4 > k % 4 ? INVMAN_OK : INVMAN_E_NONFINITE; /* below the diagonal nothing is read */
    for (i = 0; i < 16; i++) A[i] = V[i] = i == k ? (k % 2 ? NAN : -HUGE_VAL) : 1;
    error.place = k;
    CHECK(invman_eigh(&ctx, 4, A, lambda) == wanted && error.place == k);
    CHECK(invman_eigvalsh(&ctx, 4, V, lambda) == wanted && error.place == k);
    for (i = 0; i < 16; i++) A[i] = i == k ? HUGE_VAL : 1;
    error.place = 99;
    CHECK(invman_kernel_pca(&ctx, A, y, 4, 2, lambda, V, omega2) == INVMAN_E_NONFINITE && error.place == k);
  }
  for (k = 0; k < 16; k++) A[k] = k % 5 == 0;
  CHECK(invman_eigh(&ctx, SIZE_MAX / 4, A, lambda) == INVMAN_E_SIZE);
  CHECK(invman_eigh(&ctx, SIZE_MAX, A, lambda) == INVMAN_E_SIZE);
  CHECK(invman_eigvalsh(&ctx, SIZE_MAX / 16, A, lambda) == INVMAN_E_SIZE);
  CHECK(invman_eigh_top(&ctx, SIZE_MAX / 16, 3, eigen_apply, &op, 0, lambda, V) == INVMAN_E_SIZE);
  CHECK(invman_eigh_top(&ctx, SIZE_MAX / 16, SIZE_MAX / 16, eigen_apply, &op, 0, lambda, V) == INVMAN_E_SIZE);
  CHECK(invman_kernel_pca(&ctx, A, y, SIZE_MAX / 16, 3, lambda, V, omega2) == INVMAN_E_SIZE);
  CHECK(op.products == 0);
  CHECK(invman_eigh_top(&ctx, 4, 5, eigen_apply, &op, 0, lambda, V) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, NULL, &op, 0, lambda, V) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, eigen_apply, &op, 0, NULL, V) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, eigen_apply, &op, 0, lambda, NULL) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, eigen_apply, &op, -1, lambda, V) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, eigen_apply, &op, NAN, lambda, V) == INVMAN_E_ARG);
  for (op.bad = 1; op.bad < 4; op.bad++) {
    op.products = error.place = 0;
    CHECK(invman_eigh_top(&ctx, 4, 3, eigen_apply, &op, 0, lambda, V) == INVMAN_E_NONFINITE && error.place == 1);
  }
  CHECK(invman_kernel_pca(&ctx, NULL, y, 4, 2, lambda, V, omega2) == INVMAN_E_ARG);
  CHECK(invman_kernel_pca(&ctx, A, y, 4, 5, lambda, V, omega2) == INVMAN_E_ARG);
  CHECK(invman_kernel_pca(&ctx, A, NULL, 4, 2, lambda, V, omega2) == INVMAN_E_ARG);
  y[2] = 0;
  CHECK(invman_kernel_pca(&ctx, A, y, 4, 2, lambda, V, omega2) == INVMAN_E_ARG && error.place == 2);
  y[3] = y[2] = NAN;
  CHECK(invman_kernel_pca(&ctx, A, y, 4, 2, lambda, V, NULL) == INVMAN_E_NONFINITE && error.place == 2);
  ctx.alloc = test_alloc; /* without release */
  CHECK(invman_eigh(&ctx, 4, A, lambda) == INVMAN_E_ARG && invman_eigvalsh(&ctx, 4, A, lambda) == INVMAN_E_ARG);
  CHECK(invman_eigh_top(&ctx, 4, 2, eigen_apply, &op, 0, lambda, V) == INVMAN_E_ARG);
}

static void eigen_tests(void) {
  RUN(eigen_closed_forms);
  RUN(eigen_small);
  RUN(eigen_sizes);
  RUN(eigen_large);
  RUN(eigen_leaves);
  RUN(eigen_scaled);
  RUN(eigen_widths);
  RUN(eigen_top_multiple);
  RUN(eigen_top_spectra);
  RUN(eigen_top_dense);
  RUN(eigen_top_scaled);
  RUN(eigen_top_exhausted);
  RUN(eigen_top_graphs);
  RUN(eigen_top_cost);
  RUN(eigen_top_tolerance);
  RUN(eigen_golden);
  RUN(eigen_threads);
  RUN(eigen_memory);
  RUN(eigen_stopped);
  RUN(eigen_bad_input);
}
