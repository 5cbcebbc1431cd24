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
  size_t i, still = 0;
  for (seed = 0; seed < 500; seed++) {
    qp_case q = qp_random(seed);
    invman_qp_info info, again;
    const char *what = qp_families[seed % QP_FAMILIES];
    int good = qp_solve(&q, what, seed, &info);
    if (good && seed % 2) { /* from there, and from there after a change of c */
      double *x = (double *)malloc(q.n * sizeof(double));
      memcpy(x, q.x, q.n * sizeof(double));
      CHECK(qp_solve(&q, what, seed, &again) && again.pivots <= q.n);
      for (i = 0; i < q.n && x[i] == q.x[i]; i++) {}
      still += i == q.n;
      for (i = 0; i < q.n; i++) q.c[i] *= 1 + 1e-3 * invman_rng_normal(&q.rng);
      if (seed % QP_FAMILIES != 3) qp_solve(&q, what, seed, &info); /* whose c would leave Q's range */
      free(x);
    }
    qp_close(&q);
  }
  CHECK(still > 100); /* a solution stays what it is, but for rounding */
}

/* ---- what is known otherwise */

static void qp_closed_forms(void) {
  static const double K[4] = {4, 1, 1, 1}, y[2] = {1, 1}, zeros[4] = {0, 0, 0, 0}, minus[4] = {-1, -1, -1, -1};
  double Q[16] = {0}, c[4] = {-3, 2, 0, 1}, lower[4] = {-1, -1, -1, -1}, upper[4] = {2, 1, 1, 1}, x[4], a[2];
  invman_qp_info info;
  size_t i;
  for (i = 0; i < 4; i++) Q[5 * i] = (double)(i + 1), x[i] = 0.1;
  CHECK(invman_box_qp(NULL, Q, c, lower, upper, 4, x, &info) == INVMAN_OK);
  for (i = 0; i < 4; i++) CLOSE(x[i], fmin(upper[i], fmax(lower[i], -c[i] / (double)(i + 1))), 1e-15);
  CLOSE(info.objective, -4 - 1 - 0.125, 1e-15);
  CHECK(invman_box_qp(NULL, Q, c, NULL, NULL, 4, x, NULL) == INVMAN_OK);
  for (i = 0; i < 4; i++) CLOSE(x[i], -c[i] / (double)(i + 1), 1e-15);

  /* The support vector machine is not where the flow ends. */
  x[0] = x[1] = 0;
  CHECK(invman_box_qp(NULL, K, minus, zeros, NULL, 2, x, &info) == INVMAN_OK);
  CHECK(x[0] == 0 && info.residual < 1e-15);
  CLOSE(x[1], 1, 1e-15);
  CLOSE(info.objective, -0.5, 1e-15);
  CHECK(invman_lazy_train(NULL, K, y, 2, NULL, a, NULL) == INVMAN_OK);
  CLOSE(a[0], 0.2, 1e-14);
  CLOSE(a[1], 0.8, 1e-14);

  memset(Q, 0, sizeof Q); /* linear: to the bounds, and where c is 0, nowhere */
  for (i = 0; i < 4; i++) x[i] = 0.5;
  CHECK(invman_box_qp(NULL, Q, c, lower, upper, 4, x, &info) == INVMAN_OK);
  CHECK(x[0] == 2 && x[1] == -1 && x[2] == 0.5 && x[3] == -1 && info.objective == -9);
  CHECK(invman_box_qp(NULL, Q, c, lower, lower, 4, x, &info) == INVMAN_OK && same_bits(x, lower, 4)); /* all fixed */
  Q[0] = 2; /* nothing but 0 is at its place */
  CHECK(invman_box_qp(NULL, Q, zeros, NULL, NULL, 1, x, &info) == INVMAN_OK && x[0] == 0 && info.objective == 0);
}

/* The least objective on all faces of the box on which Q has an inverse: one of them holds a solution. */
static double qp_enumerate(const qp_case *q) {
  size_t n = q->n, faces = 1, face, i, j, k;
  double least = HUGE_VAL;
  for (i = 0; i < n; i++) faces *= 3;
  for (face = 0; face < faces; face++) {
    double A[4][5], x[4], sum = 0;
    size_t where[4], at = face;
    int good = 1;
    for (i = 0; i < n; i++, at /= 3) where[i] = at % 3;
    for (i = 0; i < n; i++) {
      for (j = 0; j < n; j++) A[i][j] = where[i] == 2 ? q->Q[i * n + j] : i == j;
      A[i][n] = where[i] == 2 ? -q->c[i] : where[i] == 1 ? q->upper[i] : q->lower[i];
    }
    for (k = 0; k < n; k++) {
      size_t pivot = k;
      for (i = k; i < n; i++) pivot = fabs(A[i][k]) > fabs(A[pivot][k]) ? i : pivot;
      good &= fabs(A[pivot][k]) > 1e-9;
      for (j = 0; j <= n && good; j++) {
        double swap = A[k][j];
        A[k][j] = A[pivot][j], A[pivot][j] = swap;
      }
      for (i = 0; i < n && good; i++) {
        double factor = A[i][k] / A[k][k];
        for (j = 0; j <= n && i != k; j++) A[i][j] -= factor * A[k][j];
      }
    }
    for (i = 0; i < n && good; i++) {
      x[i] = A[i][n] / A[i][i];
      good &= x[i] >= q->lower[i] - 1e-9 && x[i] <= q->upper[i] + 1e-9;
    }
    for (i = 0; i < n && good; i++) {
      sum += q->c[i] * x[i];
      for (j = 0; j < n; j++) sum += 0.5 * x[i] * q->Q[i * n + j] * x[j];
    }
    if (good && sum < least) least = sum;
  }
  return least;
}

static void qp_enumerated(void) {
  uint64_t seed;
  for (seed = 0; seed < 400; seed++) {
    qp_case q = qp_open(1 + seed % 4, seed + 1000);
    invman_qp_info info;
    qp_gram(&q, 1 + seed / 4 % 4, 1, 0);
    qp_bounds(&q, 3, 1);
    if (qp_solve(&q, "enumerated", seed, &info)) CLOSE(info.objective, qp_enumerate(&q), 1e-11);
    qp_close(&q);
  }
}

/* ---- no cycles: each of the two ways to move lowers the objective, however many points are at a bound at once */

static double qp_objective(invman_i_margins *e) {
  double sum = 0;
  size_t i, k;
  for (i = 0; i < e->n; i++) {
    sum += e->drift[i] * e->g[i];
    for (k = 0; k < e->n; k++) sum += 0.5 * e->g[i] * e->scale * e->y[i] * e->y[k] * e->K[i * e->n + k] * e->g[k];
  }
  return sum;
}

static void qp_every_move_lowers(void) {
  size_t ties = 0, together = 0, n = 24, i, j, k;
  uint64_t seed;
  for (seed = 0; seed < 200; seed++) {
    qp_case q = qp_open(n, seed + 2000);
    invman_i_scope scope = invman_i_open(NULL);
    invman_i_box b;
    invman_i_margins *e = &b.e;
    size_t moves = 0, way = seed % 2;
    double objective;
    memset(&b, 0, sizeof b);
    qp_gram(&q, way ? 2 * n : 1 + seed % 8, 1, 0);
    e->K = q.Q;
    b.exponent = (int *)invman_i_take(&scope, n, sizeof(int));
    CHECK(invman_i_margins_reserve(e, &scope, n) == INVMAN_OK);
    for (i = 0; i < n; i++) {
      q.lower[i] = 0, q.upper[i] = 1;
      q.x[i] = (double)(invman_rng_next(&q.rng) % 2);
    }
    invman_i_box_scale(&b, q.c, q.lower, q.upper, q.x);
    for (i = 0; i < n; i++) e->state[i] = INVMAN_I_AT_BOUND, e->weight += fabs(e->g[i]) * e->root[i];
    invman_i_refresh_rates(e);
    for (objective = qp_objective(e); moves < 20 * n; moves++) {
      double before = objective;
      for (i = e->on_margin_count = 0; i < n; i++) e->on_margin[e->on_margin_count++] = i;
      if ((j = invman_i_violator(e)) == n) break;
      if (way) { /* all that are wrong set out together */
        for (i = 0; i < n; i++) {
          double pivot;
          if (e->state[i] == INVMAN_I_FREE || !(invman_i_wrong(e, i, e->g[i], e->rate[i]) > 1e-9)) continue;
          CHECK(invman_i_factor_reserve(e) == INVMAN_OK);
          pivot = invman_i_factor_pivot(e, i);
          if (!invman_i_is_flat(e, i, pivot)) invman_i_factor_append(e, i, pivot), together++;
        }
        invman_i_box_descend(e);
        for (i = 0; i < n; i++) e->state[i] = e->state[i] == INVMAN_I_FREE ? INVMAN_I_FREE : INVMAN_I_AT_BOUND;
      } else {
        CHECK(invman_i_drive(e, j) == INVMAN_OK);
      }
      objective = qp_objective(e);
      if (!(objective < before - 1e-9))
        test_fail(__FILE__, __LINE__, "seed %d: from %g by %g", (int)seed, before, objective - before);
      for (k = 0; k < e->free_count; k++) {
        i = e->free_list[k];
        ties += fabs(e->g[i] - e->lower[i]) < 1e-12 || fabs(e->g[i] - e->upper[i]) < 1e-12;
      }
    }
    CHECK(moves < 20 * n);
    memset(e->change, 0, n * sizeof(double));
    invman_i_close(&scope);
    qp_close(&q);
  }
  CHECK(ties > 10 && together > 1000); /* free points at a bound: a degenerate vertex */
}

/* ---- starts, scales, threads */

static void qp_path(
    void) { /* a support vector machine's C, up and down again: every solution is the next one's start */
  qp_case q = qp_open(120, 7), cold;
  invman_qp_info info, other;
  size_t warm = 0, fresh = 0, i, k;
  qp_kernel(&q, 0.5);
  for (k = 0; k < 40; k++) {
    for (i = 0; i < q.n; i++) q.upper[i] = pow(10, 0.1 * (double)(k < 20 ? k : 39 - k));
    cold = q;
    cold.x = (double *)calloc(q.n, sizeof(double));
    CHECK(qp_solve(&q, "path", k, &info) && qp_solve(&cold, "path, cold", k, &other));
    CLOSE(info.objective, other.objective, 1e-13 * fabs(other.objective));
    if (k > 0) warm += info.pivots, fresh += other.pivots;
    free(cold.x);
  }
  CHECK(warm < fresh / 2);
  qp_close(&q);
}

static void qp_units(void) { /* powers of two change no bit */
  uint64_t seed;
  for (seed = 0; seed < 40; seed++) {
    qp_case q = qp_open(30, seed), p = qp_open(30, seed);
    invman_qp_info info, other;
    size_t i, j, n = q.n;
    int shift[30], energy = (int)(invman_rng_next(&q.rng) % 200) - 100;
    qp_gram(&q, 40, 0, 0);
    qp_bounds(&q, 4, 0);
    for (i = 0; i < n; i++) shift[i] = (int)(invman_rng_next(&q.rng) % 100) - 50;
    for (i = 0; i < n; i++) {
      for (j = 0; j < n; j++) p.Q[i * n + j] = ldexp(q.Q[i * n + j], 2 * energy - shift[i] - shift[j]);
      p.c[i] = ldexp(q.c[i], 2 * energy - shift[i]);
      p.lower[i] = ldexp(q.lower[i], shift[i]);
      p.upper[i] = ldexp(q.upper[i], shift[i]);
    }
    CHECK(qp_solve(&q, "units", seed, &info) && qp_solve(&p, "other units", seed, &other));
    for (i = 0; i < n; i++) p.x[i] = ldexp(p.x[i], -shift[i]);
    CHECK(same_bits(p.x, q.x, n) && ldexp(other.objective, -2 * energy) == info.objective);
    CHECK(other.residual == info.residual && other.pivots == info.pivots);
    qp_close(&q), qp_close(&p);
  }
}

static void qp_threads(void) {
  size_t n = 1100, calls = 0, i;
  qp_case q = qp_open(n, 3);
  invman_context ctx;
  invman_qp_info info, other;
  double *x = (double *)calloc(n, sizeof(double)), *K, s[2] = {10, HUGE_VAL};
  double *a = (double *)malloc(4 * n * sizeof(double));
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = backwards;
  ctx.user = &calls;
  qp_kernel(&q, 0.2);
  for (i = 0; i < n; i++) q.upper[i] = 5;
  CHECK(qp_solve(&q, "threads", 0, &info));
  CHECK(invman_box_qp(&ctx, q.Q, q.c, q.lower, q.upper, n, x, &other) == INVMAN_OK && calls > 0);
  CHECK(same_bits(x, q.x, n) && memcmp(&info, &other, sizeof info) == 0);
  n = 300;
  K = random_kernel(n, n + 9, 5);
  CHECK(invman_lazy_regression(NULL, K, q.x, n, s, 2, a) == INVMAN_OK);
  CHECK(invman_lazy_regression(&ctx, K, q.x, n, s, 2, a + 2 * n) == INVMAN_OK && same_bits(a, a + 2 * n, 2 * n));
  free(x), free(K), free(a);
  qp_close(&q);
}

/* ---- what has no solution, what is refused, what is stopped */

static void qp_unbounded(void) {
  static const double Q[4] = {1, -1, -1, 1}, c[2] = {-1, -1}, d[2] = {1, -1}, zeros[2] = {0, 0},
                      upper[2] = {7, HUGE_VAL};
  invman_error error;
  invman_context ctx;
  double x[2] = {3, 3};
  uint64_t seed;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_box_qp(&ctx, Q, c, zeros, NULL, 2, x, NULL) == INVMAN_E_ARG && x[0] == 3 && x[1] == 3);
  CHECK(strstr(error.what, "unbounded") && strcmp(error.unit, "element") == 0 && error.place < 2);
  CHECK(invman_box_qp(&ctx, Q, c, zeros, upper, 2, x, NULL) == INVMAN_OK && x[0] == 7); /* the one holds the other */
  CLOSE(x[1], 8, 1e-14);
  CHECK(invman_box_qp(&ctx, Q, d, NULL, NULL, 2, x, NULL) == INVMAN_OK); /* in Q's range */
  CLOSE(x[0] - x[1], -1, 1e-14);
  for (seed = 0; seed < 60; seed++) { /* labels that no function of so few dimensions separates, exactly and nearly */
    qp_case q = qp_open(10 + seed, seed + 3000);
    size_t i;
    qp_gram(&q, 2, seed % 2 == 0, 0);
    for (i = 0; i < q.n; i++) q.c[i] = -1, q.lower[i] = seed % 3 ? 0 : -HUGE_VAL;
    q.x[0] = 1;
    CHECK(invman_box_qp(&ctx, q.Q, q.c, q.lower, q.upper, q.n, q.x, NULL) == INVMAN_E_ARG && q.x[0] == 1);
    qp_close(&q);
  }
}

static int qp_stop(const char *stage, double done, void *user) {
  (void)stage, (void)done;
  return --*(int *)user <= 0;
}

static void qp_bad_input(void) {
  const double nan_ = HUGE_VAL - HUGE_VAL;
  double good[6][9], s[2] = {1, 2}, a[6], *array[5];
  invman_error error;
  invman_context ctx;
  invman_qp_info info;
  qp_case q = qp_open(200, 5);
  size_t k, i;
  int budget = 2;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  for (k = 0; k < 5; k++) {
    for (i = 0; i < 9; i++) good[k][i] = k == 0 ? i % 4 == 0 : k == 3 ? 2 : k == 4 ? 0.5 : 0;
    array[k] = good[k];
  }
  for (k = 0; k < 5; k++) /* Q, c, lower, upper, x */
    for (i = 0; i < 3; i++) {
      double kept = array[k][i], bad[3];
      size_t t;
      bad[0] = nan_, bad[1] = k == 2 ? HUGE_VAL : -HUGE_VAL, bad[2] = k == 2 ? 3 : k == 3 ? -1 : nan_;
      for (t = 0; t < 3; t++) {
        array[k][i] = bad[t];
        CHECK(invman_box_qp(&ctx, good[0], good[1], good[2], good[3], 3, good[4], &info) ==
              (k == 2 || k == 3 ? INVMAN_E_ARG : INVMAN_E_NONFINITE));
        CHECK(error.place == i && strcmp(error.unit, "element") == 0 && info.pivots == 0);
      }
      array[k][i] = kept;
    }
  good[0][4] = -1;
  CHECK(invman_box_qp(&ctx, good[0], good[1], good[2], good[3], 3, good[4], &info) == INVMAN_E_ARG && error.place == 1);
  CHECK(invman_lazy_regression(&ctx, good[0], good[1], 3, s, 2, a) == INVMAN_E_ARG); /* a negative eigenvalue */
  good[0][4] = 1;
  s[1] = -1;
  CHECK(invman_lazy_regression(&ctx, good[0], good[1], 3, s, 2, a) == INVMAN_E_ARG && error.place == 1);
  s[1] = nan_;
  CHECK(invman_lazy_regression(&ctx, good[0], good[1], 3, s, 2, a) == INVMAN_E_ARG && error.place == 1);
  good[1][2] = HUGE_VAL;
  CHECK(invman_lazy_regression(&ctx, good[0], good[1], 3, s, 1, a) == INVMAN_E_NONFINITE && error.place == 2);
  good[1][2] = 0, good[0][1] = nan_;
  CHECK(invman_lazy_regression(&ctx, good[0], good[1], 3, s, 1, a) == INVMAN_E_NONFINITE && error.place == 1);

  qp_kernel(&q, 0.3); /* stopped: within its bounds, and the objective is lower */
  ctx.progress = qp_stop;
  ctx.user = &budget;
  CHECK(invman_box_qp(&ctx, q.Q, q.c, q.lower, q.upper, q.n, q.x, &info) == INVMAN_STOPPED && budget == 0);
  CHECK(info.status == INVMAN_STOPPED && info.objective < 0 && info.residual > 1e-9);
  for (i = 0; i < q.n; i++) CHECK(q.x[i] >= 0);
  qp_close(&q);
}

/* ---- regression */

static void regression_plain_scheme(void) { /* da/ds = (y - K a)/n by Runge and Kutta's */
  enum { N = 12, STEPS = 4000 };
  double K[N * N], *B = normals(N * N, 31), *y = normals(N, 32), c[N] = {0}, a[3 * N], s[3] = {30, 3, 90};
  size_t i, j, k, t, part;
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++)
      for (k = 0, K[i * N + j] = 0; k < N - 3; k++) K[i * N + j] += B[i * N + k] * B[j * N + k]; /* a null space of 3 */
  CHECK(invman_lazy_regression(NULL, K, y, N, s, 3, a) == INVMAN_OK);
  for (t = 0; t < STEPS; t++) {
    static const double way[4] = {0, 0.5, 0.5, 1}, share[4] = {1, 2, 2, 1};
    double slope[N] = {0}, next[N], sum[N] = {0}, ds = 30.0 / STEPS;
    for (part = 0; part < 4; part++) {
      for (i = 0; i < N; i++) {
        double F = 0;
        for (j = 0; j < N; j++) F += K[i * N + j] * (c[j] + way[part] * ds * slope[j]);
        next[i] = (y[i] - F) / N;
      }
      memcpy(slope, next, sizeof slope);
      for (i = 0; i < N; i++) sum[i] += share[part] * slope[i] / 6;
    }
    for (i = 0; i < N; i++) c[i] += ds * sum[i];
    if (t + 1 == STEPS / 10) CHECK(largest_difference(c, a + N, N) < 1e-9);
  }
  CHECK(largest_difference(c, a, N) < 1e-9 && largest_difference(c, a + 2 * N, N) > 1e-3);
  free(B), free(y);
}

static void regression_ends(void) {
  enum { N = 40 };
  double *K = random_kernel(N, 3 * N, 5), *y = normals(N, 6), a[3 * N], s[3] = {1e-9, HUGE_VAL, 1e300}, F, two[2],
         rank[4];
  double labels[2] = {1, 3};
  size_t i, j;
  CHECK(invman_lazy_regression(NULL, K, y, N, s, 3, a) == INVMAN_OK);
  for (i = 0; i < N; i++) {
    double first = 0;
    for (j = 0, F = 0; j < N; j++) F += K[i * N + j] * a[N + j], first += K[i * N + j] * y[j];
    CLOSE(F, y[i], 1e-10);
    CLOSE(a[i], s[0] / N * (y[i] - s[0] / (2 * N) * first), 1e-14 * s[0]); /* to the second order */
  }
  CLOSE(largest_difference(a + N, a + 2 * N, N), 0, 1e-13 * invman_i_largest(a + N, N)); /* BLAS has its own order */
  s[0] = 0;
  CHECK(invman_lazy_regression(NULL, K, y, N, s, 1, a) == INVMAN_OK && invman_i_largest(a, N) == 0);
  CHECK(invman_lazy_regression(NULL, K, y, N, s, 0, a) == INVMAN_OK);
  /* Two equal points: their mean, by equal coefficients; in the null direction the flow's own grow without effect. */
  rank[0] = rank[1] = rank[2] = rank[3] = 2;
  s[0] = HUGE_VAL;
  CHECK(invman_lazy_regression(NULL, rank, labels, 2, s, 1, two) == INVMAN_OK);
  CLOSE(two[0], 0.5, 1e-15);
  CLOSE(two[1], 0.5, 1e-15);
  s[0] = 1e6;
  CHECK(invman_lazy_regression(NULL, rank, labels, 2, s, 1, two) == INVMAN_OK);
  CLOSE(two[0], 0.5 - 0.5e6, 1e-8);
  CLOSE(two[1], 0.5 + 0.5e6, 1e-8);
  for (i = 0; i < 400; i++) { /* the factor itself */
    long double rate = powl(10, -20 + 0.1L * (long double)i), u = rate * 3;
    CLOSE(invman_i_risen(3, (double)rate), (double)(-expm1l(-u) / 3), 4e-16 * (double)(-expm1l(-u) / 3));
  }
  free(K), free(y);
}

static void qp_tests(void) {
  RUN(qp_random_problems);
  RUN(qp_closed_forms);
  RUN(qp_enumerated);
  RUN(qp_every_move_lowers);
  RUN(qp_path);
  RUN(qp_units);
  RUN(qp_threads);
  RUN(qp_unbounded);
  RUN(qp_bad_input);
  RUN(regression_plain_scheme);
  RUN(regression_ends);
}
