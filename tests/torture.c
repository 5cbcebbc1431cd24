/* Numerical torture: kernels without an inverse, scales from subnormal to 1e300, one point, one neuron, thousands of
   equal points. Every run ends with a status that is true by plain loops of long doubles, and no NaN or infinity
   reaches a result that a status calls usable. */

static int finite_all(const double *x, size_t n) { return invman_i_check_finite(NULL, x, n, "") == INVMAN_OK; }

/* ---- the lazy flow */

enum { TORTURE_N = 60 };

/* A' diag(values) A, A of orthogonal rows: reflections of the unit matrix. */
static void torture_spectrum(const double *values, size_t n, uint64_t seed, double *K) {
  size_t i, j, k, r;
  double *A = (double *)calloc(n * n, sizeof(double));
  for (i = 0; i < n; i++) A[i * n + i] = 1;
  for (r = 0; r < 6; r++) {
    double *v = normals(n, seed + r), square = invman_i_inner(v, v, n);
    for (i = 0; i < n; i++) {
      double along = 2 * invman_i_inner(A + i * n, v, n) / square;
      for (j = 0; j < n; j++) A[i * n + j] -= along * v[j];
    }
    free(v);
  }
  for (i = 0; i < n; i++)
    for (j = 0; j <= i; j++) {
      double sum = 0;
      for (k = 0; k < n; k++) sum += values[k] * A[k * n + i] * A[k * n + j];
      K[i * n + j] = K[j * n + i] = sum;
    }
  free(A);
}

enum {
  KIND_GAUSS,
  KIND_HILBERT,
  KIND_RANK_ONE,
  KIND_NEGATIVE,
  KIND_STEEP,
  KIND_EQUAL,
  KIND_LINEAR,
  KIND_DIAGONAL,
  KIND_ZERO,
  KINDS
};

static void torture_kernel(int kind, double *K, double *y) {
  size_t n = TORTURE_N, i, j;
  double *x = normals(n * 2, 4), values[TORTURE_N];
  for (i = 0; i < n; i++) {
    y[i] = x[2 * i] * x[2 * i + 1] > 0 ? 1 : -1;
    values[i] = kind == KIND_STEEP ? pow(10, -16.0 * (double)i / (double)(n - 1)) : i < 10 ? 1 + (double)i : 0;
    if (kind == KIND_NEGATIVE && i > 40) values[i] = -1e-12;
  }
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) {
      const double *a = x + 2 * i, *b = x + 2 * j;
      K[i * n + j] = kind == KIND_GAUSS      ? exp(-(pow(a[0] - b[0], 2) + pow(a[1] - b[1], 2)) / 8)
                     : kind == KIND_HILBERT  ? 1 / (double)(i + j + 1)
                     : kind == KIND_RANK_ONE ? a[0] * b[0]
                     : kind == KIND_EQUAL    ? 1
                     : kind == KIND_LINEAR   ? a[0] * b[0] * 1e6 + a[1] * b[1] * 1e-6
                     : kind == KIND_DIAGONAL ? (i == j ? pow(10, (double)i - 30) : 0)
                                             : 0;
    }
  if (kind == KIND_NEGATIVE || kind == KIND_STEEP) torture_spectrum(values, n, 20, K);
  for (i = 0; i < n; i++) K[i * n + i] = fmax(K[i * n + i], 0);
  free(x);
}

/* What the coefficients really give, and how sure that is. */
static long double plain_margin(const double *K, const double *y, const double *a, size_t n, size_t i,
                                long double *size) {
  long double sum = 0;
  size_t j;
  for (j = 0, *size = 0; j < n; j++) {
    sum += (long double)K[i * n + j] * a[j];
    *size += fabsl((long double)K[i * n + j] * a[j]);
  }
  return sum * y[i];
}

static long double plain_loss(const double *K, const double *y, const double *a, size_t n) {
  long double loss = 0, size;
  size_t i;
  for (i = 0; i < n; i++) {
    long double m = plain_margin(K, y, a, n, i, &size);
    loss += m < 1 ? (1 - m) / (long double)n : 0;
  }
  return loss;
}

/* NOT_SEPARABLE: no step along a coefficient or along random ones lowers the loss. */
static void check_lazy_rest(const double *K, const double *y, const double *a, size_t n, const invman_lazy_info *info) {
  double *moved = (double *)malloc(n * sizeof(double)), *random = normals(8 * n, 3), top = invman_i_largest(K, n * n);
  size_t k, j;
  int up;
  for (k = 0; top > 0 && k < n + 8; k++)
    for (up = 0; up < 4; up++) {
      double step = (up % 2 ? 1 : -1) * (up < 2 ? 1e-2 : 1e-5) / top;
      memcpy(moved, a, n * sizeof(double));
      if (k < n) moved[k] += step;
      else
        for (j = 0; j < n; j++) moved[j] += step * random[(k - n) * n + j];
      CHECK(plain_loss(K, y, moved, n) >= info->loss - 1e-9 - info->residual);
    }
  free(moved), free(random);
}

static void check_lazy(const double *K, const double *y, const double *a, const double *m, size_t n,
                       invman_status status, const invman_lazy_info *info) {
  long double size, least = HUGE_VAL, worst = 0, most = 0;
  size_t i, below = 0;
  CHECK(status >= 0 && status == info->status && finite_all(a, n) && finite_all(m, n));
  CHECK(info->s >= 0 && info->s <= DBL_MAX && info->residual >= 0 && info->residual <= DBL_MAX);
  CHECK(info->speed >= 0 && info->speed <= DBL_MAX && info->loss >= 0 && info->loss <= DBL_MAX);
  for (i = 0; i < n; i++) {
    long double real = plain_margin(K, y, a, n, i, &size), off = fabsl(real - m[i]);
    if (off - 1e-14L * n * size > worst) worst = off - 1e-14L * n * size;
    if (size > most) most = size;
    least = real < least ? real : least;
    below += real < 1 - fmaxl(1e-9L, fminl(0.05L, 16 * (long double)DBL_EPSILON * size));
    CHECK(a[i] * y[i] >= 0);
  }
  CHECK(worst <= 1e-300L); /* the margins it tells are those of its coefficients, but for rounding */
  CLOSE(info->margin_min, (double)least, 1e-12 + 1e-14 * (double)(n * most));
  CLOSE(info->loss, (double)plain_loss(K, y, a, n), 1e-12 + 1e-14 * (double)(n * most));
  CHECK((status == INVMAN_OK) == (info->end == INVMAN_END_SATISFIED));
  CHECK((status == INVMAN_NOT_SEPARABLE) == (info->end == INVMAN_END_REST));
  CHECK((status == INVMAN_NOT_CONVERGED) == (info->end == INVMAN_END_ROUNDING));
  if (status == INVMAN_OK) CHECK(below == 0 && info->unsatisfied == 0);
  if (status == INVMAN_NOT_SEPARABLE) {
    CHECK(info->unsatisfied > 0 && info->speed <= 1e-8);
    CHECK(info->residual <= fmaxl(1e-9L, fminl(0.05L, 16 * (long double)DBL_EPSILON * most)));
    check_lazy_rest(K, y, a, n, info);
  }
}

static void torture_lazy(void) { /* OK, at rest, or honest, whatever the kernel and its scale */
  static const double scales[] = {1, 1e150, 1e-150, 1e300, 1e-290, 1e-305, 1e-311, 1e-320};
  static double K[TORTURE_N * TORTURE_N], y[TORTURE_N], a[TORTURE_N], m[TORTURE_N];
  size_t s, i, n = TORTURE_N;
  int kind, before = 0;
  for (kind = 0; kind < KINDS; kind++)
    for (s = 0; s < sizeof scales / sizeof *scales; s++) {
      invman_lazy_options o = no_lazy_options();
      invman_lazy_info info;
      invman_status status;
      torture_kernel(kind, K, y);
      for (i = 0; i < n * n; i++) K[i] *= scales[s];
      if (!finite_all(K, n * n) || floats_lost(1e-30 * scales[s]) || floats_lost(1 / scales[s]))
        continue; /* K, or what a is */
      o.margin = m;
      o.event_max = 20000;
      status = invman_lazy_train(NULL, K, y, n, &o, a, &info);
      if (status >= 0) check_lazy(K, y, a, m, n, status, &info);
      else CHECK(status == INVMAN_E_NONFINITE);
      if (s == 0) CHECK(status >= 0 && status != INVMAN_STOPPED);
      if (test_failures > before)
        printf("  the above: kernel %d, scale %g, status %d, s %g, residual %g, loss %g\n", kind, scales[s],
               (int)status, info.s, info.residual, info.loss);
      before = test_failures;
    }
}

static void column_of_ones(size_t j, double *column, void *arg) {
  size_t i, n = *(const size_t *)arg;
  (void)j;
  for (i = 0; i < n; i++) column[i] = 1;
}

static void torture_equal_points_lazy(void) { /* not in n^2 memory, but in n^2 time: all columns are asked for */
  size_t n = 10000, i;
  double *y = (double *)malloc(n * sizeof(double)), *a = (double *)malloc(n * sizeof(double)), sum = 0;
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_lazy_options o = no_lazy_options();
  invman_lazy_info info;
  for (i = 0; i < n; i++) y[i] = 1;
  CHECK(invman_lazy_train_columns(&ctx, column_of_ones, &n, y, n, &o, a, &info) >= 0);
  CHECK((double)heap.peak < 150.0 * 8 * (double)n && heap.blocks == 0);
  CHECK(info.status == INVMAN_OK && info.events == n);
  for (i = 0; i < n; i++) sum += a[i];
  CLOSE(sum, 1, 1e-9);
  free(y), free(a);
}

/* ---- eigenvectors */

/* |A v - lambda v| and |V V' - 1|, in long doubles, against |A| */
static void check_pairs(const double *A, const double *lambda, const double *V, size_t n, size_t r, double tol) {
  long double norm = 0, worst = 0, skew = 0;
  size_t i, j, k;
  for (k = 0; k < n * n; k++) norm = fabsl((long double)A[k]) > norm ? fabsl((long double)A[k]) : norm;
  CHECK(finite_all(lambda, r) && finite_all(V, r * n));
  for (k = 0; k < r; k++) {
    if (k > 0) CHECK(lambda[k] <= lambda[k - 1]);
    for (i = 0; i < n; i++) {
      long double sum = 0;
      for (j = 0; j < n; j++) sum += (long double)A[i * n + j] * V[k * n + j];
      sum = fabsl(sum - (long double)lambda[k] * V[k * n + i]);
      worst = sum > worst ? sum : worst;
    }
    for (i = 0; i <= k; i++) {
      long double sum = i == k ? -1 : 0;
      for (j = 0; j < n; j++) sum += (long double)V[k * n + j] * V[i * n + j];
      skew = fabsl(sum) > skew ? fabsl(sum) : skew;
    }
  }
  CHECK(worst <= tol * (long double)n * norm + 1e-322L * n);
  CHECK(skew <= tol * (long double)n);
}

static void torture_eigenvectors(void) {
  static const double scales[] = {1, 1e150, 1e-150, 1e300, 1e-290, 1e-305, 1e-311};
  static double K[TORTURE_N * TORTURE_N], V[TORTURE_N * TORTURE_N], y[TORTURE_N], lambda[TORTURE_N], w[TORTURE_N];
  size_t s, i, n = TORTURE_N;
  int kind, before = 0;
  for (kind = 0; kind < KINDS; kind++)
    for (s = 0; s < sizeof scales / sizeof *scales; s++) {
      double tol = scales[s] < 1e-300 ? 1e-2 : 1e-13; /* subnormal numbers have few digits */
      invman_status status;
      double share = 0, root = sqrt((double)n);
      torture_kernel(kind, K, y);
      for (i = 0; i < n * n; i++) K[i] *= scales[s];
      if (!finite_all(K, n * n)) continue;
      memcpy(V, K, sizeof V);
      status = invman_eigh(NULL, n, V, lambda);
      if (status < 0) CHECK(status == INVMAN_E_NONFINITE && V[0] == 0 && lambda[0] == 0);
      else check_pairs(K, lambda, V, n, n, tol);
      memcpy(V, K, sizeof V);
      if (invman_eigvalsh(NULL, n, V, w) == INVMAN_OK && status == INVMAN_OK)
        CHECK(largest_difference(lambda, w, n) <= tol * (double)n * fmax(invman_i_largest(K, n * n), DBL_MIN));
      status = invman_kernel_pca(NULL, K, y, n, n, lambda, V, w);
      if (status == INVMAN_OK) {
        for (i = 0; i < n * n; i++) V[i] /= root;
        check_pairs(K, lambda, V, n, n, tol);
        for (i = 0; i < n; i++) share += w[i];
        CLOSE(share, 1, 1e-11);
      } else {
        CHECK(status == INVMAN_E_NONFINITE);
      }
      status = invman_kernel_pca(NULL, K, y, n, 2, lambda, V, w); /* by products */
      if (status == INVMAN_OK) {
        for (i = 0; i < 2 * n; i++) V[i] /= root;
        check_pairs(K, lambda, V, n, 2, tol);
      } else {
        CHECK(status == INVMAN_NOT_CONVERGED || status == INVMAN_E_NONFINITE);
      }
      if (test_failures > before) printf("  the above: kernel %d, scale %g\n", kind, scales[s]);
      before = test_failures;
    }
}

static void torture_eigenvalues_overflow(void) { /* of entries that are finite */
  double A[16], lambda[4], phi[16];
  size_t i;
  for (i = 0; i < 16; i++) A[i] = 1e308;
  CHECK(invman_eigvalsh(NULL, 4, A, lambda) == INVMAN_E_NONFINITE && lambda[0] == 0);
  for (i = 0; i < 16; i++) A[i] = 1e308;
  CHECK(invman_eigh(NULL, 4, A, lambda) == INVMAN_E_NONFINITE && lambda[0] == 0 && A[5] == 0);
  for (i = 0; i < 16; i++) A[i] = 1e308;
  phi[0] = lambda[0] = 7;
  CHECK(invman_kernel_pca(NULL, A, NULL, 4, 2, lambda, phi, NULL) == INVMAN_E_NONFINITE);
  CHECK(lambda[0] == 7 && phi[0] == 7);
}

/* ---- the network's flow */

/* f at a point, and the sum of its terms' sizes. */
static long double plain_f(const invman_net *net, const double *x, long double *size) {
  long double sum = 0, root = sqrtl((long double)net->d);
  size_t n, k;
  for (n = 0, *size = 0; n < net->h; n++) {
    long double z = net->b[n], terms = fabsl(z);
    for (k = 0; k < net->d; k++) {
      z += (long double)net->w[n * net->d + k] * x[k] / root;
      terms += fabsl((long double)net->w[n * net->d + k] * x[k] / root);
    }
    if (z > 0) sum += net->beta[n] * sqrtl(2) * z;
    *size += fabsl(net->beta[n] * sqrtl(2) * terms);
  }
  *size /= (long double)net->h;
  return sum / (long double)net->h;
}

static long double plain_z(const invman_net *net, size_t n, const double *x) {
  long double z = net->b[n], root = sqrtl((long double)net->d);
  size_t k;
  for (k = 0; k < net->d; k++) z += (long double)net->w[n * net->d + k] * x[k] / root;
  return z;
}

/* y df/dW of a point, in long doubles. */
static void plain_pull(const invman_net *net, const double *x, double y, long double *out) {
  long double root = sqrtl((long double)net->d);
  size_t n, k, d = net->d;
  for (n = 0; n < net->h; n++) {
    long double z = plain_z(net, n, x), beta = net->beta[n];
    for (k = 0; k < d + 2; k++) *out++ = z > 0 ? y * (k < d ? beta * x[k] / root : k == d ? beta : z) : 0;
  }
}

/* Rest means that what the points push cancels, where those at their margin push with a g in [0,1] that is found here by
   coordinate descent: the size of what is left, as a share of that of its terms. */
static long double plain_push(const invman_net *net, const invman_data *data, const invman_flow *flow) {
  size_t N = net->h * (net->d + 2), p = data->n, i, k, sweep;
  long double *pull = (long double *)malloc((p + 1) * N * sizeof *pull), *sum = pull + p * N, left = 0, all = 0;
  double *g = (double *)calloc(p, sizeof *g);
  for (k = 0; k < N; k++) sum[k] = 0;
  for (i = 0; i < p; i++) {
    plain_pull(net, data->x + i * data->d, data->y[i], pull + i * N);
    g[i] = flow->margin[i] < 1;
    for (k = 0; k < N; k++) sum[k] += g[i] * pull[i * N + k];
    for (k = 0; k < N && g[i] > 0; k++) all += pull[i * N + k] * pull[i * N + k];
  }
  for (sweep = 0; sweep < 2000; sweep++)
    for (i = 0; i < p; i++) {
      long double along = 0, square = 0, to;
      if (fabs(flow->margin[i] - 1) > 1e-8) continue;
      for (k = 0; k < N; k++) along += sum[k] * pull[i * N + k];
      for (k = 0; k < N; k++) square += pull[i * N + k] * pull[i * N + k];
      to = square > 0 ? g[i] - along / square : g[i];
      to = to < 0 ? 0 : to > 1 ? 1 : to;
      for (k = 0; k < N; k++) sum[k] += (to - g[i]) * pull[i * N + k];
      g[i] = (double)to;
    }
  for (k = 0; k < N; k++) left += sum[k] * sum[k];
  free(pull), free(g);
  return all > 0 ? sqrtl(left / all) : 0;
}

static void check_flow(const invman_flow *flow, const invman_net *net, const invman_net *start, const invman_data *data,
                       invman_status status) {
  const invman_flow_info *info = &flow->info;
  const invman_flow_options *o = &flow->options;
  long double least = HUGE_VAL, least_sure = HUGE_VAL, size[2], worst = 0;
  size_t i;
  CHECK(status == info->status);
  CHECK(finite_all(net->w, net->h * net->d) && finite_all(net->b, net->h) && finite_all(net->beta, net->h));
  CHECK(info->t >= 0 && info->t <= DBL_MAX && info->dt >= 0 && info->dt <= DBL_MAX);
  CHECK(info->loss >= 0 && info->loss <= DBL_MAX && fabs(info->margin_min) <= DBL_MAX);
  CHECK(info->lambda >= 0 && info->lambda_max >= info->lambda && info->t_star >= 0 && info->t_star <= info->t);
  CHECK(info->lambda_star >= 0 && info->test_error >= -1 && info->test_error <= 1);
  for (i = 0; i < data->n; i++) {
    const double *x = data->x + i * data->d;
    long double m = plain_f(net, x, &size[0]) - plain_f(start, x, &size[1]), sure;
    m *= (long double)o->alpha * data->y[i];
    sure = 1e-15L * (long double)(data->d + 40) * (long double)o->alpha * (size[0] + size[1]); /* rounding in doubles */
    least = m < least ? m : least;
    least_sure = m + sure < least_sure ? m + sure : least_sure;
    if (flow->margin[i] > 1) m = m > 1 - o->margin_stop ? flow->margin[i] : m; /* far ones are bounded, not followed */
    if (fabsl(m - flow->margin[i]) - sure > worst) worst = fabsl(m - flow->margin[i]) - sure;
  }
  CHECK(worst <= 1e-300L); /* its margins are the network's */
  CHECK((status == INVMAN_OK) == (info->end == INVMAN_END_SATISFIED));
  if (status == INVMAN_OK) CHECK(info->unsatisfied == 0 && least_sure > 1 - o->margin_stop);
  else CHECK(info->unsatisfied > 0 && (double)least <= 1 - o->margin_stop + 1e-9);
  if (info->end == INVMAN_END_STEP_MAX) CHECK(info->step == o->step_max);
  if (info->end == INVMAN_END_T_MAX) CHECK(info->t == o->t_max);
  if (status == INVMAN_NOT_SEPARABLE && info->held == 0) CHECK(plain_push(net, data, flow) <= 1e-9L);
}

typedef struct torture_run { /* a problem, and how many of its ends are known beforehand */
  size_t d, p, h;
  double x_scale[3], w_scale, alpha;
  int loss;
  invman_status wanted; /* 0: OK; STOPPED: any that is not negative */
} torture_run;

static invman_status torture_flow(const torture_run *r, invman_data *data, uint64_t seed) {
  invman_net net = random_net(r->h, r->d, seed), start;
  invman_flow_options o = no_options();
  invman_context ctx;
  invman_error error;
  invman_flow *flow;
  invman_status status;
  size_t k;
  memset(&ctx, 0, sizeof ctx);
  memset(&error, 0, sizeof error);
  ctx.error = &error;
  for (k = 0; k < r->h * r->d; k++) net.w[k] *= r->w_scale;
  for (k = 0; k < r->h; k++) net.b[k] *= r->w_scale, net.beta[k] *= r->w_scale;
  o.alpha = r->alpha;
  o.loss = r->loss;
  o.step_max = 1000;
  fail_need(invman_net_copy(NULL, &net, &start) == INVMAN_OK);
  status = invman_flow_create(&ctx, &net, data, &o, &flow);
  if (status == INVMAN_OK) status = invman_flow_run(flow);
  if (status >= 0) check_flow(flow, &net, &start, data, status);
  else CHECK(status == INVMAN_E_NONFINITE && error.what && same_net(&net, &start));
  if (r->wanted != INVMAN_STOPPED) CHECK(status == r->wanted);
  invman_flow_free(flow);
  invman_net_free(NULL, &net);
  invman_net_free(NULL, &start);
  return status;
}

static void torture_flows(void) {
  static const torture_run runs[] = {
      {3, 20, 200, {1, 1, 1}, 1, 1e-16, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 200, {1, 1, 1}, 1, 1e-8, INVMAN_HINGE, INVMAN_OK},
      {3, 20, 200, {1, 1, 1}, 1, 1, INVMAN_HINGE, INVMAN_OK},
      {3, 20, 200, {1, 1, 1}, 1, 1e4, INVMAN_HINGE, INVMAN_OK},
      {3, 20, 200, {1, 1, 1}, 1, 1e8, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 200, {1, 1, 1}, 1, 1e12, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 200, {1, 1, 1}, 1, 1e-16, INVMAN_SOFT_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1, 1e8, INVMAN_SQUARED_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1e6, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e6, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 200, {1e-3, 1e3, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 200, {1e6, 1, 1e-6}, 1, 1, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e3, 1, 1e-3}, 1, 1e-3, INVMAN_SOFT_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e-6, 1e-6, 1e-6}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e10, 1e10, 1e10}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e150, 1e150, 1e150}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e150, 1e150, 1e150}, 1e-150, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e-150, 1e-150, 1e-150}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e300, 1e300, 1e300}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e300, 1e300, 1e300}, 1e-300, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1e-310, 1e-310, 1e-310}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1e-100, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1e-310, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1e100, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1e150, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1e160, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1, 1e300, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 40, {1, 1, 1}, 1, 1e-300, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 20, 1, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {1, 20, 1, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {1, 20, 100, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {1, 1, 1, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_STOPPED},
      {3, 1, 40, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_OK},
      {3, 1, 40, {1, 1, 1}, 1, 1e8, INVMAN_HINGE, INVMAN_STOPPED},
      {1, 2, 1, {1, 1, 1}, 1, 1e-6, INVMAN_SOFT_HINGE, INVMAN_STOPPED},
      {3, 2, 40, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_OK},
      {3, 2, 1, {1, 1, 1}, 1, 1, INVMAN_HINGE, INVMAN_STOPPED},
  };
  size_t k, i, j;
  uint64_t seed;
  int before = 0;
  for (k = 0; k < sizeof runs / sizeof *runs; k++)
    for (seed = 1; seed <= 3; seed++) {
      const torture_run *r = &runs[k];
      invman_data data = sample_model(a_model(INVMAN_STRIPE, r->d), r->p, seed);
      invman_status status;
      if (r->p == 2) data.y[0] = 1, data.y[1] = -1;
      for (i = 0; i < r->p; i++)
        for (j = 0; j < r->d; j++) data.x[i * r->d + j] *= r->x_scale[j];
      status = torture_flow(r, &data, seed);
      if (test_failures > before)
        printf("  the above: run %lu, seed %d, status %d\n", (unsigned long)k, (int)seed, (int)status);
      before = test_failures;
      invman_data_free(NULL, &data);
    }
}

static void torture_equal_points(void) { /* n^2 memory where n points meet their margin at once: here 500 */
  enum { P = 500, D = 2 };
  invman_data data = sample_model(a_model(INVMAN_STRIPE, D), P, 1);
  torture_run r = {D, P, 50, {1, 1, 1}, 1, 1e-6, INVMAN_HINGE, INVMAN_OK};
  size_t i;
  for (i = 1; i < P; i++) memcpy(data.x + i * D, data.x + D, D * sizeof(double)), data.y[i] = -data.y[0];
  torture_flow(&r, &data, 1);
  r.wanted = INVMAN_NOT_SEPARABLE; /* one of them with the other label */
  data.y[P - 1] = data.y[0];
  torture_flow(&r, &data, 1);
  invman_data_free(NULL, &data);
}

static void torture_many_equal_points(void) { /* 100,000, in a heap of 500 MB: done, or refused, not killed */
  size_t n = 100000, d = 1, i, calls;
  invman_data data = sample_model(a_model(INVMAN_STRIPE, d), n, 1);
  invman_net net = random_net(4, d, 1);
  invman_flow_options o = no_options();
  fail_heap heap;
  invman_context ctx;
  invman_error error;
  invman_status status;
  memset(&ctx, 0, sizeof ctx);
  memset(&heap, 0, sizeof heap);
  ctx.alloc = fail_alloc, ctx.release = fail_release, ctx.user = &heap, ctx.error = &error;
  heap.most = (size_t)500 << 20;
  for (i = 0; i < n; i++) data.x[i] = i > 0 ? 1.5 : -1.5, data.y[i] = i > 0 ? 1 : -1;
  o.step_max = 300;
  status = invman_train(&ctx, &net, &data, &o, NULL);
  calls = heap.calls;
  CHECK((status >= 0 || status == INVMAN_E_NOMEM) && calls > 0 && heap.blocks == 0 && !heap.wrong);
  CHECK(finite_all(net.w, 4) && finite_all(net.b, 4) && finite_all(net.beta, 4));
  invman_net_free(NULL, &net);
  invman_data_free(NULL, &data);
}

static void torture_satisfied_at_the_start(
    void) { /* a saved run with margins above what is asked for when it goes on */
  test_problem q = make_problem(INVMAN_STRIPE, 3, 20, 40, 4);
  invman_flow_options o = no_options();
  invman_flow *flow;
  invman_net start, was;
  CHECK(invman_net_copy(NULL, &q.net, &start) == INVMAN_OK);
  CHECK(invman_flow_create(NULL, &q.net, &q.train, &o, &flow) == INVMAN_OK && invman_flow_run(flow) == INVMAN_OK);
  CHECK(invman_flow_save(flow, in_test_dir("torture.flow")) == INVMAN_OK);
  invman_flow_free(flow);
  CHECK(invman_net_copy(NULL, &q.net, &was) == INVMAN_OK);
  o.margin_stop = 0.5; /* every margin is far above it */
  CHECK(invman_flow_resume(NULL, in_test_dir("torture.flow"), &q.net, &q.train, &o, &flow) == INVMAN_OK);
  check_flow(flow, &q.net, &start, &q.train, INVMAN_OK);
  CHECK(invman_flow_step(flow) == INVMAN_OK && invman_flow_run(flow) == INVMAN_OK && same_net(&was, &q.net));
  invman_flow_free(flow);
  o.margin_stop = 1e-12; /* and none is: it goes on, and ends with a status that is true */
  CHECK(invman_flow_resume(NULL, in_test_dir("torture.flow"), &q.net, &q.train, &o, &flow) == INVMAN_OK);
  check_flow(flow, &q.net, &start, &q.train, invman_flow_run(flow));
  invman_flow_free(flow);
  invman_net_free(NULL, &start);
  invman_net_free(NULL, &was);
  free_problem(&q);
}

/* ---- values that are finite, and results that are not */

static void torture_overflow(void) {
  static const double scales[] = {1, 1e75, 1e150, 1e200, 1e300, 1e-75, 1e-150, 1e-300, 1e-323};
  enum { P = 12, D = 3, H = 6, S = sizeof scales / sizeof *scales };
  size_t s, t, i;
  int before = 0;
  for (s = 0; s < S; s++)
    for (t = 0; t < S; t++) {
      test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 1);
      invman_context ctx;
      invman_error error;
      invman_net grad;
      invman_status status;
      double f[P], K[P * P], z[H * D], lambda = invman_amplification(&q.net, 1), wide[2 * D];
      memset(&ctx, 0, sizeof ctx);
      memset(&grad, 0, sizeof grad);
      ctx.error = &error;
      for (i = 0; i < P * D; i++) q.train.x[i] *= scales[s];
      for (i = 0; i < H * D; i++) q.net.w[i] *= scales[t];
      for (i = 0; i < H; i++) q.net.b[i] *= scales[t], q.net.beta[i] *= scales[t];
      status = invman_net_eval(&ctx, &q.net, q.train.x, P, f);
      CHECK(finite_all(f, P) && (status == INVMAN_OK || (status == INVMAN_E_NONFINITE && f[0] == 0)));
      if (scales[s] * scales[t] < 1e100 && scales[t] < 1e100 && scales[s] < 1e100) {
        CHECK(status == INVMAN_OK);
        for (i = 0; i < P; i++) {
          long double size, wanted = plain_f(&q.net, q.train.x + i * D, &size);
          CHECK(fabsl(f[i] - wanted) <= 1e-14L * size + 1e-300L);
        }
      }
      status = invman_net_gradient(&ctx, &q.net, q.train.x, P, q.train.y, &grad);
      CHECK(status == INVMAN_OK ? finite_all(grad.w, H * D) && finite_all(grad.b, H) && finite_all(grad.beta, H)
                                : status == INVMAN_E_NONFINITE && !grad.w);
      invman_net_free(NULL, &grad);
      status = invman_ntk_gram(&ctx, &q.net, INVMAN_NTK_ALL, q.train.x, P, NULL, 0, K);
      CHECK(finite_all(K, P * P) && (status == INVMAN_OK || (status == INVMAN_E_NONFINITE && K[0] == 0)));
      status = invman_ntk_gram_infinite(&ctx, D, INVMAN_NTK_ALL, q.train.x, P, NULL, 0, K);
      CHECK(finite_all(K, P * P) && (status == INVMAN_OK || (status == INVMAN_E_NONFINITE && K[0] == 0)));
      memcpy(wide, q.train.x, D * sizeof(double)); /* one large point among others */
      for (i = 0; i < D; i++) wide[D + i] = 0.5;
      status = invman_ntk_gram_infinite(&ctx, D, INVMAN_NTK_ALL, wide, 2, NULL, 0, K);
      CHECK(status == INVMAN_OK || status == INVMAN_E_NONFINITE);
      CHECK(finite_all(K, 4));
      if (scales[t] > 1e-320) CLOSE(invman_amplification(&q.net, 1), lambda, 1e-13 * lambda);
      invman_neuron_vectors(&q.net, z);
      CHECK(finite_all(z, H * D) || floats_lost(scales[t]));
      if (test_failures > before) printf("  the above: x %g, weights %g\n", scales[s], scales[t]);
      before = test_failures;
      free_problem(&q);
    }
}

static void torture_convnet(void) {
  static const double scales[] = {1, 1e30, 1e150, 1e300, 1e-150, 1e-310};
  enum { P = 5, S = sizeof scales / sizeof *scales };
  invman_convnet_options o = fail_shape();
  size_t s, t, i, N;
  for (s = 0; s < S; s++)
    for (t = 0; t < S; t++) {
      invman_convnet *net = make_convnet(NULL, &o, 3);
      double *x = normals(6 * P, 1), f[P], K[P * P], *J, *G;
      invman_status status;
      N = invman_convnet_size(net);
      J = (double *)malloc(P * N * sizeof(double)), G = (double *)malloc(N * sizeof(double));
      for (i = 0; i < 6 * P; i++) x[i] *= scales[s];
      for (i = 0; i < N; i++) invman_convnet_weights(net)[i] *= scales[t];
      status = invman_convnet_eval(net, x, P, f);
      CHECK(finite_all(f, P) && (status == INVMAN_OK || status == INVMAN_E_NONFINITE));
      status = invman_convnet_jacobian(net, x, P, J);
      CHECK(finite_all(J, P * N) && (status == INVMAN_OK || status == INVMAN_E_NONFINITE));
      status = invman_convnet_gradient(net, x, P, x, G);
      CHECK(finite_all(G, N) && (status == INVMAN_OK || status == INVMAN_E_NONFINITE));
      status = invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, P, NULL, 0, K);
      CHECK(finite_all(K, P * P) && (status == INVMAN_OK || status == INVMAN_E_NONFINITE));
      if (s == 0 && t == 0) CHECK(status == INVMAN_OK);
      invman_convnet_free(net);
      free(x), free(J), free(G);
    }
}

static void torture_measures(void) { /* in [0,1], of any scale the same */
  static const double scales[] = {1, 1e150, 1e300, 1e-150, 1e-300, 1e-312};
  enum { P = 200 };
  size_t s, i;
  double *v = normals(2 * P, 5), y[P], *u = (double *)malloc(2 * P * sizeof(double)), *K = NULL, first[3] = {0, 0, 0};
  for (i = 0; i < P; i++) y[i] = v[i] > 0 ? 1 : -1;
  for (s = 0; s < sizeof scales / sizeof *scales; s++) {
    double bits[2], dimension, error, x[3] = {1, 2, 3}, Y[3], slope;
    if (floats_lost(scales[s])) continue;
    for (i = 0; i < 2 * P; i++) u[i] = v[i] * scales[s];
    CHECK(invman_mutual_information(NULL, u, 1, y, P, NULL, &bits[0]) == INVMAN_OK && bits[0] >= 0 && bits[0] <= 1);
    CHECK(invman_mutual_information(NULL, u, 2, y, P, NULL, &bits[1]) == INVMAN_OK && bits[1] >= 0 && bits[1] <= 1);
    K = linear_gram(v, P, 2);
    for (i = 0; i < P * P; i++) K[i] *= scales[s];
    CHECK(invman_intrinsic_dimension(NULL, K, P, &dimension, &error) == INVMAN_OK);
    CHECK(dimension > 0 && dimension <= DBL_MAX && error > 0);
    for (i = 0; i < 3; i++) Y[i] = x[i] * scales[s];
    CHECK(invman_fit_power_law(NULL, x, Y, 3, &slope, &error) == INVMAN_OK);
    CLOSE(slope, 1, 1e-9);
    if (s == 0) first[0] = bits[0], first[1] = bits[1], first[2] = dimension;
    if (scales[s] > 1e-310) {
      CLOSE(bits[0], first[0], 1e-12);
      CLOSE(bits[1], first[1], 1e-12);
      CLOSE(dimension, first[2], 1e-9);
    }
    free(K);
  }
  free(v), free(u);
}

static void torture_equal_values(void) { /* 100,000 in one coordinate, 2000 in two: O(n^2) there */
  size_t n = 100000, i;
  double *v = (double *)malloc(n * sizeof(double)), *y = (double *)malloc(n * sizeof(double)), bits = -1;
  for (i = 0; i < n; i++) v[i] = 0.1, y[i] = i % 2 ? 1 : -1;
  CHECK(invman_mutual_information(NULL, v, 1, y, n, NULL, &bits) == INVMAN_OK && bits == 0);
  CHECK(invman_mutual_information(NULL, v, 2, y, 2000, NULL, &bits) == INVMAN_OK && bits == 0);
  free(v), free(y);
}

static void torture_neurons(void) { /* of the stripe's theory: states that are numbers, or a status that says no */
  static const double scales[] = {1, 1e150, 1e300, 1e-150, 1e-310};
  static const double t[3] = {0.1, 1, 1e3};
  size_t s;
  for (s = 0; s < sizeof scales / sizeof *scales; s++) {
    double start[4] = {1, 0.5, -0.3, 2}, states[12];
    invman_status status;
    size_t k;
    for (k = 0; k < 4; k++) start[k] *= scales[s];
    for (k = 0; k < 12; k++) states[k] = 7;
    status = invman_stripe_neuron_ode(NULL, NULL, 0, 5, start, t, 3, states);
    CHECK(finite_all(states, 12) && (status == INVMAN_OK || status == INVMAN_NOT_CONVERGED));
    if (status == INVMAN_OK) CHECK(states[11] != 7);
  }
}

static void torture_tests(void) {
  RUN(torture_lazy);
  RUN(torture_equal_points_lazy);
  RUN(torture_eigenvectors);
  RUN(torture_eigenvalues_overflow);
  RUN(torture_flows);
  RUN(torture_equal_points);
  RUN(torture_many_equal_points);
  RUN(torture_satisfied_at_the_start);
  RUN(torture_overflow);
  RUN(torture_convnet);
  RUN(torture_measures);
  RUN(torture_equal_values);
  RUN(torture_neurons);
}
