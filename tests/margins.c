/* The margin step by itself: the hinge's events against an exact limit, a plain scheme and its own optimality
   conditions, degenerate kernels among them; the smooth losses against a plain scheme. */

typedef struct test_engine {
  invman_i_scope scope;
  invman_i_margins e;
} test_engine;

static void open_engine(test_engine *t, size_t n, const double *K, const double *y, double scale) {
  size_t i;
  memset(t, 0, sizeof *t);
  t->scope = invman_i_open(NULL);
  if (invman_i_margins_reserve(&t->e, &t->scope, n) < 0) exit(1);
  t->e.K = K;
  t->e.scale = scale;
  t->e.above_wanted = n + 1;
  for (i = 0; i < n; i++) {
    t->e.y[i] = y[i];
    t->e.drift[i] = t->e.m[i] = 0;
  }
}

static void margins_golden_lazy(void) { /* a frozen kernel from m = 0 to rest */
  const char *path = GOLDEN "lazy_small.txt";
  double *K = golden(path, "K", 3600), *y = golden(path, "y", 60), *a = golden(path, "a", 60);
  double *m = golden(path, "margin", 60), *s = golden(path, "s", 1);
  test_engine t;
  size_t i;
  int rest;
  open_engine(&t, 60, K, y, 1.0 / 60);
  CHECK(invman_i_hinge_run(&t.e, HUGE_VAL, &rest) == INVMAN_OK && rest);
  for (i = 0; i < 60; i++) {
    CLOSE(t.e.m[i], m[i], 1e-9);
    CLOSE(y[i] * t.e.impulse[i] / 60, a[i], 1e-9 * fmax(1, fabs(a[i])));
  }
  CLOSE(t.e.s, s[0], 1e-9 * s[0]);
  invman_i_close(&t.scope);
  free(K), free(y), free(a), free(m), free(s);
}

/* A kernel of rank `rank`: K = A A' of normals. */
static double *random_kernel(size_t n, size_t rank, uint64_t seed) {
  double *A = normals(n * rank, seed), *K = (double *)malloc(n * n * sizeof(double));
  size_t i, j, k;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) {
      K[i * n + j] = 0;
      for (k = 0; k < rank; k++) K[i * n + j] += A[i * rank + k] * A[j * rank + k] / (double)rank;
    }
  free(A);
  return K;
}

static double *random_labels(size_t n, uint64_t seed) {
  double *y = normals(n, seed);
  size_t i;
  for (i = 0; i < n; i++) y[i] = y[i] > 0 ? 1 : -1;
  return y;
}

static void margins_plain_scheme(void) {
  /* dm/ds = Q g(m) + c by 10^5 explicit steps with the hinge's corner rounded over a width w: first order in both. */
  enum { N = 12, STEPS = 100000 };
  double *K = random_kernel(N, 20, 1), *y = random_labels(N, 2), *c = normals(N, 3), *m0 = normals(N, 4), m[N], g[N];
  double s = 2, w = 1e-3;
  test_engine t;
  size_t i, j, step;
  int rest;
  open_engine(&t, N, K, y, 1);
  for (i = 0; i < N; i++) {
    m[i] = t.e.m[i] = m0[i];
    t.e.drift[i] = 0.3 * c[i];
  }
  for (step = 0; step < STEPS; step++) {
    for (i = 0; i < N; i++) g[i] = fmin(1, fmax(0, 0.5 + (1 - m[i]) / w));
    for (i = 0; i < N; i++) {
      double rate = 0.3 * c[i];
      for (j = 0; j < N; j++) rate += y[i] * y[j] * K[i * N + j] * g[j];
      m[i] += s / STEPS * rate;
    }
  }
  CHECK(invman_i_hinge_run(&t.e, s, &rest) == INVMAN_OK && !rest);
  CHECK(t.e.events > 5 && t.e.free_count > 0);
  for (i = 0; i < N; i++) CLOSE(t.e.m[i], m[i], 5e-3);
  invman_i_close(&t.scope);
  free(K), free(y), free(c), free(m0);
}

static void margins_degenerate_kernels(void) {
  /* Fewer features than points, equal points, equal points of opposite labels: every run ends, at rest, where the rates
     Q g + c vanish or point away, and the margins are those of the impulse. */
  size_t trial;
  for (trial = 0; trial < 200; trial++) {
    size_t n = 5 + trial % 40, rank = 1 + trial % 7, i, j;
    double *K = random_kernel(n, rank, 100 + trial), *y = random_labels(n, 300 + trial);
    invman_status status;
    test_engine t;
    int rest;
    if (trial % 3 == 0) /* every second point equals the one before it */
      for (i = 1; i < n; i += 2) {
        for (j = 0; j < n; j++) K[i * n + j] = K[(i - 1) * n + j];
        for (j = 0; j < n; j++) K[j * n + i] = K[j * n + i - 1];
        if (trial % 2 == 0) y[i] = y[i - 1];
      }
    open_engine(&t, n, K, y, 1.0 / (double)n);
    status = invman_i_hinge_run(&t.e, HUGE_VAL, &rest);
    CHECK(status == INVMAN_OK && rest);
    for (i = 0; i < n; i++) {
      double m = 0, rate = 0, size = 1e-9;
      for (j = 0; j < n; j++) {
        m += y[i] * y[j] * K[i * n + j] / (double)n * t.e.impulse[j];
        rate += y[i] * y[j] * K[i * n + j] / (double)n * t.e.g[j];
        size += 1e-9 * fabs(K[i * n + j]);
      }
      CLOSE(t.e.m[i], m, 1e-8 * (1 + t.e.s));
      CLOSE(rate, 0, size);
      CHECK(t.e.g[i] >= 0 && t.e.g[i] <= 1);
      if (t.e.m[i] > 1 + 1e-9) CHECK(t.e.g[i] == 0);
      if (t.e.m[i] < 1 - 1e-9) CHECK(t.e.g[i] == 1);
    }
    invman_i_close(&t.scope);
    free(K), free(y);
  }
}

static void margins_factor_is_kept(void) { /* after points have come and gone the factor is still the sliding block's */
  enum { N = 60 };
  double *K = random_kernel(N, 90, 5), *y = random_labels(N, 6), horizon;
  for (horizon = 0.5; horizon < 50; horizon *= 1.5) {
    test_engine t;
    size_t i, j, k;
    int rest;
    open_engine(&t, N, K, y, 1.0 / N);
    invman_i_hinge_run(&t.e, horizon, &rest);
    for (i = 0; i < t.e.free_count; i++)
      for (j = 0; j <= i; j++) {
        double sum = 0;
        for (k = 0; k <= j; k++) sum += t.e.factor[i * t.e.capacity + k] * t.e.factor[j * t.e.capacity + k];
        CLOSE(sum, invman_i_q(&t.e, t.e.free_list[i], t.e.free_list[j]), 1e-13);
      }
    invman_i_close(&t.scope);
  }
  free(K), free(y);
}

static void margins_smooth_losses(void) { /* against 4000 steps of Runge and Kutta's fourth-order scheme */
  enum { N = 15, STEPS = 4000 };
  double *K = random_kernel(N, 25, 7), *y = random_labels(N, 8), *m0 = normals(N, 9), m[N], s = 3;
  invman_i_loss loss;
  int kind;
  for (kind = INVMAN_SOFT_HINGE; kind <= INVMAN_SQUARED_HINGE; kind++) {
    double tol = 1e-3, ignored;
    test_engine t;
    size_t i, j, step;
    int stage;
    loss.kind = kind;
    loss.beta = 20;
    memcpy(m, m0, sizeof m);
    for (step = 0; step < STEPS; step++) {
      double k[5][N] = {{0}}, at[N];
      for (stage = 1; stage < 5; stage++) {
        double part = stage == 1 ? 0 : stage == 4 ? 1 : 0.5;
        for (i = 0; i < N; i++) at[i] = m[i] + part * s / STEPS * k[stage - 1][i];
        for (i = 0; i < N; i++)
          for (j = 0, k[stage][i] = 0; j < N; j++)
            k[stage][i] += y[i] * y[j] * K[i * N + j] * invman_i_multiplier(&loss, at[j], &ignored);
      }
      for (i = 0; i < N; i++) m[i] += s / STEPS * (k[1][i] + 2 * k[2][i] + 2 * k[3][i] + k[4][i]) / 6;
    }
    open_engine(&t, N, K, y, 1);
    memcpy(t.e.m, m0, sizeof m);
    CHECK(invman_i_smooth_run(&t.e, &loss, s, tol) == INVMAN_OK);
    for (i = 0; i < N; i++) CLOSE(t.e.m[i], m[i], 20 * tol); /* of some fifty steps */
    invman_i_close(&t.scope);
  }
  free(K), free(y), free(m0);
}

static void margins_losses_are_consistent(void) { /* g is the slope of the loss, the curvature that of g */
  int kind;
  double m;
  for (kind = INVMAN_HINGE; kind <= INVMAN_SQUARED_HINGE; kind++)
    for (m = -2.05; m < 3; m += 0.1) {
      invman_i_loss l;
      double c, unused, step = 1e-6, g;
      l.kind = kind;
      l.beta = 5;
      g = invman_i_multiplier(&l, m, &c);
      CLOSE(g, (invman_i_loss_value(&l, m - step) - invman_i_loss_value(&l, m + step)) / (2 * step), 1e-8);
      CLOSE(c, (invman_i_multiplier(&l, m - step, &unused) - invman_i_multiplier(&l, m + step, &unused)) / (2 * step),
            1e-8);
    }
}

/* Points that are all at their margin at once, with small whole numbers for features and drifts, so that ties are
   everywhere: each drive lowers 1/2 g'Qg + c'g, no point is driven for ever, and at the end no rate is wrong. */
static void margins_every_drive_lowers(void) {
  size_t trial, drives_most = 0;
  for (trial = 0; trial < 3000; trial++) {
    size_t n = 2 + trial % 30, rank = 1 + trial % 5, i, j, k, drives = 0;
    double *K = (double *)calloc(n * n, sizeof(double)), *y = random_labels(n, trial);
    int A[40 * 5];
    double objective = HUGE_VAL;
    invman_rng rng;
    test_engine t;
    invman_i_margins *e = &t.e;
    invman_rng_seed(&rng, trial, 1);
    for (i = 0; i < n * rank; i++) A[i] = (int)(invman_rng_next(&rng) % (3 + 2 * (trial % 2))) - 1 - (int)(trial % 2);
    for (i = 0; i < n * n; i++)
      for (k = 0; k < rank; k++) K[i] += A[i / n * rank + k] * A[i % n * rank + k];
    open_engine(&t, n, K, y, 1);
    for (i = 0; i < n; i++) {
      e->m[i] = 1;
      e->drift[i] = (double)(int)(invman_rng_next(&rng) % 5) - 2;
      e->state[i] = INVMAN_I_AT_BOUND;
      e->g[i] = (double)(invman_rng_next(&rng) % 2);
      e->impulse[i] = e->change[i] = 0;
      e->root[i] = sqrt(K[i * n + i]);
      e->weight += e->root[i];
      e->on_margin[e->on_margin_count++] = i;
    }
    invman_i_refresh_rates(e);
    while ((j = invman_i_violator(e)) < n && drives++ < 20 * n) {
      double sum = 0, before = objective;
      CHECK(invman_i_drive(e, j) == INVMAN_OK);
      for (i = 0; i < n; i++) {
        sum += e->drift[i] * e->g[i];
        for (k = 0; k < n; k++) sum += 0.5 * e->g[i] * y[i] * y[k] * K[i * n + k] * e->g[k];
      }
      CHECK(sum < before - 1e-10);
      objective = sum;
    }
    CHECK(drives < 20 * n);
    drives_most = drives > drives_most ? drives : drives_most;
    for (i = 0; i < n; i++) {
      double rate = e->drift[i];
      for (k = 0; k < n; k++) rate += y[i] * y[k] * K[i * n + k] * e->g[k];
      CHECK(e->g[i] > -1e-12 && e->g[i] < 1 + 1e-12);
      CHECK(e->g[i] >= 1 - 1e-12 || rate > -1e-8);
      CHECK(e->g[i] <= 1e-12 || rate < 1e-8);
    }
    invman_i_close(&t.scope);
    free(K), free(y);
  }
  CHECK(drives_most > 20); /* else there were no ties to speak of */
}

/* The flow's end is not the function of widest margin: a point that is carried beyond its margin keeps its push. */
static void margins_end_is_not_the_widest(void) {
  static const double K[4] = {4, 1, 1, 1}, y[2] = {1, 1}, widest[2] = {0, 1};
  invman_lazy_options o;
  double a[2], m[2];
  memset(&o, 0, sizeof o);
  o.margin = m;
  CHECK(invman_lazy_train(NULL, K, y, 2, &o, a, NULL) == INVMAN_OK);
  CLOSE(a[0], 0.2, 1e-14);
  CLOSE(a[1], 0.8, 1e-14);
  CLOSE(m[0], 1.6, 1e-14);
  CLOSE(m[1], 1, 1e-14);
  CLOSE(4 * a[0] * a[0] + 2 * a[0] * a[1] + a[1] * a[1], 1.12, 1e-14);
  CLOSE(4 * widest[0] + widest[1], 1, 0); /* both margins are 1, no coefficient is below 0: Kuhn and Tucker's */
  CLOSE(widest[0] + widest[1], 1, 0);
}

static void margins_tests(void) {
  RUN(margins_every_drive_lowers);
  RUN(margins_end_is_not_the_widest);
  RUN(margins_golden_lazy);
  RUN(margins_plain_scheme);
  RUN(margins_degenerate_kernels);
  RUN(margins_factor_is_kept);
  RUN(margins_smooth_losses);
  RUN(margins_losses_are_consistent);
}
