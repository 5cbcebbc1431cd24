/* Quadratic programs in a box and regression under a frozen kernel: random problems whose conditions are computed anew
   in long double, closed forms, enumerated and degenerate ones, warm starts, unbounded ones; a plain scheme for the
   regression. */

enum { QP_MOST = 400 };

typedef struct qp_case {
  size_t n;
  double *Q, *c, *lower, *upper, *x;
  invman_rng rng;
} qp_case;

static qp_case qp_open(size_t n, uint64_t seed) {
  qp_case q;
  size_t i;
  q.n = n;
  q.Q = (double *)calloc(n * n, sizeof(double));
  q.c = (double *)calloc(n, sizeof(double));
  q.x = (double *)calloc(n, sizeof(double));
  q.lower = (double *)calloc(n, sizeof(double));
  q.upper = (double *)calloc(n, sizeof(double));
  if (!q.Q || !q.c || !q.x || !q.lower || !q.upper) exit(1);
  for (i = 0; i < n; i++) q.upper[i] = HUGE_VAL;
  invman_rng_seed(&q.rng, seed, 19);
  return q;
}
static void qp_close(qp_case *q) { free(q->Q), free(q->c), free(q->x), free(q->lower), free(q->upper); }

static double qp_whole(qp_case *q, int most) { /* -most .. most */
  return (double)(int)(invman_rng_next(&q->rng) % (uint64_t)(2 * most + 1)) - most;
}

/* Q = A A', A (n,rank) of normals, or of whole numbers, whose sums are exact; c = A v or anything */
static void qp_gram(qp_case *q, size_t rank, int whole, int in_range) {
  size_t i, j, k, n = q->n;
  double *A = (double *)malloc(n * rank * sizeof(double));
  for (i = 0; i < n * rank; i++) A[i] = whole ? qp_whole(q, 2) : invman_rng_normal(&q->rng);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++)
      for (k = 0; k < rank; k++) q->Q[i * n + j] += A[i * rank + k] * A[j * rank + k];
  for (k = 0; k < rank; k++) {
    double v = whole ? qp_whole(q, 3) : invman_rng_normal(&q->rng);
    for (i = 0; i < n; i++) q->c[i] += A[i * rank + k] * v;
  }
  for (i = 0; i < n && !in_range; i++) q->c[i] = whole ? qp_whole(q, 3) : 3 * invman_rng_normal(&q->rng);
  free(A);
}

/* Eigenvalues from 1 down to 1/condition, evenly in their logarithm, in a basis of a few reflections. */
static void qp_spectrum(qp_case *q, double condition) {
  size_t i, j, k, n = q->n;
  double *v = (double *)malloc(n * sizeof(double)), *w = (double *)malloc(n * sizeof(double));
  for (i = 0; i < n; i++) {
    q->Q[i * n + i] = pow(condition, -(double)i / (double)(n - 1));
    q->c[i] = invman_rng_normal(&q->rng);
  }
  for (k = 0; k < 4; k++) { /* Q = H Q H, H = 1 - 2 v v' */
    double square = 0, inner = 0;
    for (i = 0; i < n; i++) v[i] = invman_rng_normal(&q->rng), square += v[i] * v[i];
    for (i = 0; i < n; i++) v[i] /= sqrt(square);
    for (i = 0; i < n; i++)
      for (j = 0, w[i] = 0; j < n; j++) w[i] += q->Q[i * n + j] * v[j];
    for (i = 0; i < n; i++) inner += v[i] * w[i];
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++) q->Q[i * n + j] -= 2 * (v[i] * w[j] + w[i] * v[j]) - 4 * inner * v[i] * v[j];
  }
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++) q->Q[i * n + j] = q->Q[j * n + i];
  free(v), free(w);
}

static void qp_kernel(qp_case *q, double width) { /* the dual of a support vector machine, of a smooth kernel */
  size_t i, j, n = q->n;
  double *x = (double *)malloc(2 * n * sizeof(double));
  for (i = 0; i < 2 * n; i++) x[i] = invman_rng_normal(&q->rng);
  for (i = 0; i < n; i++) {
    for (j = 0; j < n; j++) {
      double sign = (x[2 * i] > 0.3) == (x[2 * j] > 0.3) ? 1 : -1;
      q->Q[i * n + j] = sign * exp(-kernel_squared_distance(x + 2 * i, x + 2 * j, 2) / (2 * width * width));
    }
    q->c[i] = -1;
  }
  free(x);
}

/* Bounds: none, one, two, equal ones; kind 4: any of them. Whole numbers where whole. */
static void qp_bounds(qp_case *q, size_t kind, int whole) {
  size_t i;
  for (i = 0; i < q->n; i++) {
    size_t which = kind < 4 ? kind : invman_rng_next(&q->rng) % 10;
    double a = whole ? qp_whole(q, 2) : invman_rng_normal(&q->rng);
    double b = whole ? a + (double)(invman_rng_next(&q->rng) % 3) : a + invman_rng_uniform(&q->rng);
    q->lower[i] = which == 0 || which == 2 || which == 5 ? -HUGE_VAL : a;
    q->upper[i] = which == 0 || which == 1 || which == 6 ? HUGE_VAL : which == 9 ? a : b;
  }
}

/* Variables in units of their own, the objective in another one. */
static void qp_rescale(qp_case *q, double of_x, double each, double of_objective) {
  size_t i, j, n = q->n;
  double *d = (double *)malloc(n * sizeof(double));
  for (i = 0; i < n; i++) d[i] = of_x * pow(each, 2 * invman_rng_uniform(&q->rng) - 1);
  for (i = 0; i < n; i++) {
    for (j = 0; j < n; j++) q->Q[i * n + j] = of_objective * q->Q[i * n + j] / (d[i] * d[j]);
    q->c[i] *= of_objective / d[i];
    q->lower[i] *= d[i], q->upper[i] *= d[i], q->x[i] *= d[i];
  }
  free(d);
}

/* The conditions, in long double: the most that a gradient is wrong, of what it is a sum of; below 0: out of bounds. */
static double qp_residual(const qp_case *q, const double *x, double *objective, double *terms) {
  size_t i, j, n = q->n;
  long double sum = 0, weight = 0;
  double most = 0;
  *terms = 0;
  for (i = 0; i < n; i++) weight += sqrt(q->Q[i * n + i]) * fabs(x[i]);
  for (i = 0; i < n; i++) {
    long double slope = q->c[i], size = fabs(q->c[i]) + sqrt(q->Q[i * n + i]) * weight, wrong;
    for (j = 0; j < n; j++) slope += (long double)q->Q[i * n + j] * x[j];
    sum += (slope + q->c[i]) * x[i] / 2;
    *terms += fabs(x[i]) * (double)size;
    wrong = slope > 0 ? (x[i] > q->lower[i] ? slope : 0) : x[i] < q->upper[i] ? -slope : 0;
    if (!(x[i] >= q->lower[i] && x[i] <= q->upper[i])) return -1;
    if (wrong > 0 && (double)(wrong / size) > most) most = (double)(wrong / size);
  }
  *objective = (double)sum;
  return most;
}

static int qp_solve(qp_case *q, const char *what, uint64_t seed, invman_qp_info *info) {
  invman_status status = invman_box_qp(NULL, q->Q, q->c, q->lower, q->upper, q->n, q->x, info);
  double objective = 0, terms, residual = qp_residual(q, q->x, &objective, &terms);
  if (status == INVMAN_OK && residual >= 0 && residual <= 1.01e-9 && info->status == status &&
      fabs(info->residual - residual) <= 1e-15 + 0.01 * residual && fabs(info->objective - objective) <= 1e-14 * terms)
    return 1;
  test_fail(__FILE__, __LINE__, "%s, seed %lu, n = %lu: %s, residual %g, in truth %g, objective %g, %g", what,
            (unsigned long)seed, (unsigned long)q->n, invman_status_string(status), info->residual, residual,
            info->objective, objective);
  return 0;
}

static const char *const qp_families[] = {"definite",           "given spectrum",   "rank, whole numbers",
                                          "rank, in its range", "rank, two bounds", "ties",
                                          "diagonal",           "smooth kernel"};
enum { QP_FAMILIES = sizeof qp_families / sizeof *qp_families };

static qp_case qp_random(uint64_t seed) {
  static const size_t sizes[] = {2, 3, 5, 10, 20, 40, 80, 100, 150, 400};
  static const double scales[] = {1, 1, 1e-8, 1e8, 1e-4, 1e4};
  size_t family = seed % QP_FAMILIES, n, i, rank, kind;
  qp_case q = qp_open(sizes[seed / QP_FAMILIES % 10], seed);
  n = q.n;
  rank = 1 + n / (2 + invman_rng_next(&q.rng) % 4);
  kind = invman_rng_next(&q.rng) % 6;
  if (family == 0) qp_gram(&q, n + 5, 0, 0);
  if (family == 1) qp_spectrum(&q, pow(10, 12 * invman_rng_uniform(&q.rng)));
  if (family == 2) qp_gram(&q, rank, 1, 1);
  if (family == 3) qp_gram(&q, rank, 0, 1);
  if (family == 4) qp_gram(&q, rank, 0, 0), kind = 3;
  if (family == 5) qp_gram(&q, n / 2 + 1, 1, 0), kind = 3;
  for (i = 0; i < n && family == 6; i++) q.Q[i * n + i] = invman_rng_uniform(&q.rng), q.c[i] = qp_whole(&q, 1);
  if (family == 7) qp_kernel(&q, 0.3 + invman_rng_uniform(&q.rng));
  if (family != 7) qp_bounds(&q, kind, family == 5 || family == 2);
  for (i = 0; i < n && family == 7 && kind % 2; i++) q.upper[i] = pow(10, (double)kind);
  for (i = 0; i < n && seed % 3; i++) q.x[i] = seed % 3 == 1 ? invman_rng_normal(&q.rng) : 100 * qp_whole(&q, 1);
  if (seed / QP_FAMILIES % 2)
    qp_rescale(&q, scales[invman_rng_next(&q.rng) % 6], pow(10, qp_whole(&q, 4)), scales[invman_rng_next(&q.rng) % 6]);
  return q;
}

static void qp_random_problems(void) {
  uint64_t seed;
  size_t i;
  for (seed = 0; seed < 500; seed++) {
    qp_case q = qp_random(seed);
    invman_qp_info info;
    const char *what = qp_families[seed % QP_FAMILIES];
    double began = test_clock();
    if (qp_solve(&q, what, seed, &info) && seed % 2) { /* from there, after a change of c */
      size_t pivots = info.pivots;
      CHECK(qp_solve(&q, "again", seed, &info) && info.pivots <= q.n);
      for (i = 0; i < q.n; i++) q.c[i] *= 1 + 1e-3 * invman_rng_normal(&q.rng);
      if (seed % QP_FAMILIES != 2 && seed % QP_FAMILIES != 3) qp_solve(&q, "warm", seed, &info);
      (void)pivots;
    }
    if (getenv("QP_LOG"))
      printf("%s %lu n %lu res %g piv %lu %.3f s\n", what, (unsigned long)seed, (unsigned long)q.n, info.residual,
             (unsigned long)info.pivots, test_clock() - began);
    qp_close(&q);
  }
}

static void qp_tests(void) { RUN(qp_random_problems); }
