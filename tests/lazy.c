/* The lazy flow: the golden run, a brute-force scheme, closed forms, kernels without an inverse, labels that cannot be
   separated, limits, the certificate. random_kernel and random_labels are those of margins.c. */

static invman_lazy_options no_lazy_options(void) {
  invman_lazy_options o;
  memset(&o, 0, sizeof o);
  return o;
}

static void lazy_golden(void) {
  const char *path = GOLDEN "lazy_small.txt";
  double *x = golden(path, "x", 180), *z = golden(path, "z", 24), *y = golden(path, "y", 60);
  double *K = golden(path, "K", 3600), *a = golden(path, "a", 60), *m = golden(path, "margin", 60);
  double *s = golden(path, "s", 1), *Fz = golden(path, "F_z", 8), own[3600], c[60], margin[60];
  invman_lazy_options o = no_lazy_options();
  invman_lazy_info info;
  size_t i, j;
  o.margin = margin;
  CHECK(invman_ntk_gram_infinite(NULL, 3, INVMAN_NTK_ALL, x, 60, NULL, 0, own) == INVMAN_OK);
  CLOSE(largest_difference(own, K, 3600), 0, 1e-7); /* the file's diagonal: see its README */
  CHECK(invman_lazy_train(NULL, K, y, 60, &o, c, &info) == INVMAN_OK);
  CHECK(info.status == INVMAN_OK && info.end == INVMAN_END_SATISFIED && info.unsatisfied == 0);
  for (i = 0; i < 60; i++) {
    CLOSE(c[i], a[i], 1e-8 * fmax(1, fabs(a[i])));
    CLOSE(margin[i], m[i], 1e-9);
  }
  CLOSE(info.s, s[0], 1e-9 * s[0]);
  CLOSE(info.loss, 0, 1e-12);
  CLOSE(info.residual, 0, 1e-12);
  CLOSE(info.speed, 0, 1e-12);
  for (j = 0; j < 8; j++) { /* and the predictor elsewhere */
    double k[60];
    CHECK(invman_ntk_gram_infinite(NULL, 3, INVMAN_NTK_ALL, x, 60, z + 3 * j, 1, k) == INVMAN_OK);
    CLOSE(invman_i_inner(k, c, 60), Fz[j], 1e-7);
  }
  free(x), free(z), free(y), free(K), free(a), free(m), free(s), free(Fz);
}

/* dm/ds = Q g by implicit Euler steps: m' = m + ds Q g, g in the hinge's subdifferential at m', which is the minimum of
   ds/2 g'Qg + (m-1)'g over 0 <= g <= 1, found by coordinate descent. */
static void brute_force(const double *K, const double *y, size_t n, double s, size_t steps, double *m) {
  double *g = (double *)malloc(n * sizeof(double)), *to = (double *)malloc(n * sizeof(double)), ds = s / (double)steps;
  size_t i, j, step, sweep;
  for (i = 0; i < n; i++) m[i] = 0;
  for (i = 0; i < n; i++) g[i] = 1;
  for (step = 0; step < steps; step++) {
    double moved = 1;
    for (i = 0; i < n; i++) { /* m' for the g of the step before */
      to[i] = m[i];
      for (j = 0; j < n; j++) to[i] += ds / (double)n * y[i] * y[j] * K[i * n + j] * g[j];
    }
    for (sweep = 0; sweep < 20000 && moved > 1e-10; sweep++)
      for (i = 0, moved = 0; i < n; i++) {
        double own = ds / (double)n * K[i * n + i];
        double next = fmin(1, fmax(0, g[i] - (to[i] - 1) / own)), change = next - g[i];
        if (change == 0) continue;
        g[i] = next;
        moved = fmax(moved, fabs(change));
        for (j = 0; j < n; j++) to[j] += ds / (double)n * y[i] * y[j] * K[i * n + j] * change;
      }
    memcpy(m, to, n * sizeof(double));
  }
  free(g), free(to);
}

static void lazy_brute_force(void) {
  /* Twenty problems; the scheme is of first order, so with four times its steps it must come some four times nearer:
     at least 2.5 times, since the largest error of n points moves from one point to another. */
  size_t trial, slid = 0;
  for (trial = 0; trial < 20; trial++) {
    size_t n = 20 + 9 * trial, d = 1 + trial % 5, i, k, steps = 60;
    test_problem q = make_problem(d > 2 && trial % 2 ? INVMAN_CYLINDER : INVMAN_STRIPE, d, n, 1, 50 + trial);
    double *K = (double *)malloc(n * n * sizeof(double)), *a = (double *)malloc(n * sizeof(double));
    double *m = (double *)malloc(n * sizeof(double)), *b = (double *)malloc(n * sizeof(double)), error[2];
    invman_lazy_options o = no_lazy_options();
    invman_lazy_info info;
    if (trial % 3 == 0) /* some points twice, with their labels */
      for (i = 0; i + 5 < n; i += 5) {
        memcpy(q.train.x + (i + 1) * d, q.train.x + i * d, d * sizeof(double));
        q.train.y[i + 1] = q.train.y[i];
      }
    CHECK(invman_ntk_gram_infinite(NULL, d, INVMAN_NTK_ALL, q.train.x, n, NULL, 0, K) == INVMAN_OK);
    o.s_max = 0.7 * (double)n; /* about half of the points have arrived, and many slide */
    o.margin = m;
    CHECK(invman_lazy_train(NULL, K, q.train.y, n, &o, a, &info) == INVMAN_STOPPED);
    CHECK(info.s == o.s_max && info.end == INVMAN_END_T_MAX);
    slid += info.sliding;
    for (k = 0; k < 2; k++) {
      brute_force(K, q.train.y, n, o.s_max, k ? 4 * steps : steps, b);
      error[k] = largest_difference(m, b, n);
    }
    CHECK(error[1] < error[0] / 2.5 && error[1] < (d == 1 ? 0.1 : 0.02));
    free(K), free(a), free(m), free(b);
    free_problem(&q);
  }
  CHECK(slid > 60);
}

static void lazy_closed_forms(void) {
  enum { N = 7 };
  double K[N * N], y[N], a[N];
  invman_lazy_info info;
  size_t i, j, ones;

  for (i = 0; i < N * N; i++) K[i] = i % (N + 1) == 0 ? 2 : 0; /* 2: each point by itself, m = 2 s/n */
  for (i = 0; i < N; i++) y[i] = i % 2 ? 1 : -1;
  CHECK(invman_lazy_train(NULL, K, y, N, NULL, a, &info) == INVMAN_OK);
  CLOSE(info.s, N / 2.0, 1e-13);
  for (i = 0; i < N; i++) CLOSE(a[i], y[i] / 2, 1e-15);
  CHECK(info.events == N);

  for (i = 0; i < N * N; i++) K[i] = 0; /* nothing moves: loss 1 is the least */
  CHECK(invman_lazy_train(NULL, K, y, N, NULL, a, &info) == INVMAN_NOT_SEPARABLE);
  CHECK(info.s == 0 && info.loss == 1 && info.end == INVMAN_END_REST && info.unsatisfied == N);

  /* Equal points, all of them: F is one number. With k labels +1 the mean hinge loss is least at F = sign of the
     majority, 2 k/n where they are the minority. */
  for (ones = 0; ones <= N; ones++) {
    size_t minority = ones <= N / 2 ? ones : N - ones;
    for (i = 0; i < N * N; i++) K[i] = 1;
    for (i = 0; i < N; i++) y[i] = i < ones ? 1 : -1;
    CHECK(invman_lazy_train(NULL, K, y, N, NULL, a, &info) == (minority ? INVMAN_NOT_SEPARABLE : INVMAN_OK));
    CLOSE(info.loss, 2.0 * (double)minority / N, 1e-13);
    CLOSE(info.residual, 0, 1e-13);
    CLOSE(info.speed, 0, 1e-13);
    for (i = 0, K[0] = 0; i < N; i++) K[0] += a[i];
    CLOSE(K[0], ones > N / 2 ? 1 : -1, 1e-13);
  }

  for (i = 0; i < N; i++) /* rank 1, K = v v' with v = 1..n and y = +1: the nearest point arrives last, at F = v/1 */
    for (j = 0; j < N; j++) K[i * N + j] = (double)((i + 1) * (j + 1));
  for (i = 0; i < N; i++) y[i] = 1;
  CHECK(invman_lazy_train(NULL, K, y, N, NULL, a, &info) == INVMAN_OK);
  for (i = 0, K[0] = 0; i < N; i++) K[0] += (double)(i + 1) * a[i];
  CLOSE(K[0], 1, 1e-13);
}

static void lazy_one_point(void) {
  double K = 3, y = -1, a;
  invman_lazy_info info;
  CHECK(invman_lazy_train(NULL, &K, &y, 1, NULL, &a, &info) == INVMAN_OK);
  CLOSE(a, -1.0 / 3, 1e-16);
  CLOSE(info.s, 1.0 / 3, 1e-16);
  CHECK(invman_lazy_train(NULL, &K, &y, 1, NULL, &a, NULL) == INVMAN_OK);
}

/* The Gram matrix of n points of the stripe; every second one of them is the one before it, moved by `gap`. */
static double *paired_kernel(size_t n, double gap, double *y) {
  enum { D = 3 };
  test_problem q = make_problem(INVMAN_STRIPE, D, n, 1, 77);
  double *K = (double *)malloc(n * n * sizeof(double));
  size_t i, k;
  for (i = 0; i + 1 < n; i += 2) {
    for (k = 0; k < D; k++) q.train.x[(i + 1) * D + k] = q.train.x[i * D + k] + gap * (k == 1);
    q.train.y[i + 1] = q.train.y[i];
  }
  memcpy(y, q.train.y, n * sizeof(double));
  if (invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, n, NULL, 0, K) < 0) exit(1);
  free_problem(&q);
  return K;
}

static void lazy_nearly_singular_kernels(void) { /* equal points, and points as near to equal as numbers can be */
  enum { N = 120 };
  static const double gaps[] = {0, 1e-15, 1e-13, 1e-11, 1e-9, 1e-7, 1e-5, 1e-3};
  double y[N], a[N], first = 0;
  size_t k, i;
  for (k = 0; k < sizeof gaps / sizeof *gaps; k++) {
    double *K = paired_kernel(N, gaps[k], y);
    invman_lazy_info info;
    CHECK(invman_lazy_train(NULL, K, y, N, NULL, a, &info) == INVMAN_OK);
    CHECK(info.margin_min > 1 - 1e-9 && info.residual < 1e-9);
    for (i = 0; i < N; i++) CHECK(a[i] * y[i] >= 0);
    if (k == 0) first = info.s;
    if (gaps[k] < 1e-7) CLOSE(info.s / first, 1, 1e-4); /* the same problem, nearly */
    free(K);
  }
}

static void lazy_equal_points_count_twice(void) {
  /* A point that is there twice pulls twice: F is the same as with twice its weight, that is K scaled by the weights'
     square roots has the same flow of impulses. Here: every point twice is every point once. */
  enum { N = 60 };
  double y[2 * N], y1[N], a[2 * N], b[N];
  double *K = paired_kernel(2 * N, 0, y), *K1 = (double *)malloc(N * N * sizeof(double));
  invman_lazy_info two, one;
  size_t i, j;
  for (i = 0; i < N; i++) {
    y1[i] = y[2 * i];
    for (j = 0; j < N; j++) K1[i * N + j] = K[2 * i * 2 * N + 2 * j];
  }
  CHECK(invman_lazy_train(NULL, K, y, 2 * N, NULL, a, &two) == INVMAN_OK);
  CHECK(invman_lazy_train(NULL, K1, y1, N, NULL, b, &one) == INVMAN_OK);
  CLOSE(two.s, one.s, 1e-8 * one.s);
  for (i = 0; i < N; i++) CLOSE(a[2 * i] + a[2 * i + 1], b[i], 1e-7 * fmax(1, fabs(b[i])));
  free(K), free(K1);
}

static void lazy_opposite_labels(void) {
  /* Pairs of equal points with opposite labels: each costs max(0, 1-F) + max(0, 1+F) >= 2, whatever F in [-1, 1]; the
     others can be fitted: the least mean loss is 2 pairs/n. */
  enum { N = 80, D = 3 };
  size_t pairs;
  for (pairs = 1; pairs < 20; pairs += 6) {
    test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 5 + pairs);
    double *K = (double *)malloc(N * N * sizeof(double)), a[N], m[N];
    invman_lazy_options o = no_lazy_options();
    invman_lazy_info info;
    size_t i;
    for (i = 0; i < 2 * pairs; i += 2) {
      memcpy(q.train.x + (i + 1) * D, q.train.x + i * D, D * sizeof(double));
      q.train.y[i + 1] = -q.train.y[i];
    }
    o.margin = m;
    CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
    CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, a, &info) == INVMAN_NOT_SEPARABLE);
    CHECK(info.end == INVMAN_END_REST && info.unsatisfied >= pairs && info.unsatisfied <= 2 * pairs);
    CLOSE(info.loss, 2 * (double)pairs / N, 1e-10);
    CHECK(info.residual < 1e-9 && info.speed < 1e-9);
    for (i = 2 * pairs; i < N; i++) CHECK(m[i] > 1 - 1e-9);
    free(K);
    free_problem(&q);
  }
}

static void lazy_any_kernel_ends(void) {
  /* Fewer features than points, so that labels cannot be fitted: the end is at rest, certified, and no small change of
     the coefficients lowers the loss. */
  size_t trial;
  for (trial = 0; trial < 60; trial++) {
    size_t n = 10 + trial, rank = 2 + trial % 5, i, j, k;
    double *K = random_kernel(n, rank, 900 + trial), *y = random_labels(n, 950 + trial), *a = normals(n, 1);
    double *change = normals(n * 20, trial);
    invman_lazy_info info;
    invman_status status = invman_lazy_train(NULL, K, y, n, NULL, a, &info);
    CHECK(status == INVMAN_NOT_SEPARABLE || (status == INVMAN_OK && n < 20));
    CHECK(info.residual < 1e-9 && info.speed < 1e-9);
    for (k = 0; k < 20; k++) {
      double loss = 0;
      for (i = 0; i < n; i++) {
        double F = 0;
        for (j = 0; j < n; j++) F += K[i * n + j] * (a[j] + 1e-3 * change[k * n + j]);
        loss += fmax(0, 1 - y[i] * F) / (double)n;
      }
      CHECK(loss >= info.loss - 1e-11);
    }
    free(K), free(y), free(a), free(change);
  }
}

static void lazy_ill_conditioned(void) {
  /* Gaussian kernels of condition up to 1e16 and more, with labels at random: the narrow ones are fitted; the wide ones
     have no inverse in doubles and would need coefficients beyond what doubles resolve: they say so, at a loss below that
     of F = 0 and at margins that are those of the coefficients. */
  enum { N = 100 };
  double *x = normals(N * 2, 4), *y = random_labels(N, 6), *K = (double *)malloc(N * N * sizeof(double)), a[N], width;
  size_t i, j;
  for (width = 0.3; width < 30; width *= 2) {
    invman_lazy_info info;
    invman_status status;
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++)
        K[i * N + j] = exp(-(pow(x[2 * i] - x[2 * j], 2) + pow(x[2 * i + 1] - x[2 * j + 1], 2)) / (2 * width * width));
    status = invman_lazy_train(NULL, K, y, N, NULL, a, &info);
    if (width < 0.5) {
      CHECK(status == INVMAN_OK && info.margin_min > 1 - 1e-9);
    } else if (width < 2) {
      CHECK(status == INVMAN_OK && info.unsatisfied == 0 && info.margin_min > 0.9); /* what doubles allow */
    } else {
      CHECK(status == INVMAN_NOT_CONVERGED || status == INVMAN_NOT_SEPARABLE);
      CHECK(info.residual > 1e-9 && info.loss < 0.95);
    }
  }
  free(x), free(y), free(K);
}

static void lazy_nothing_left_but_rounding(void) {
  /* Points above their margin, a rate that is left of nothing, no event ahead: at rest, unless a drift carries it. */
  double K[4] = {1, 0, 0, 1}, y[2] = {1, 1};
  test_engine t;
  int rest = 0;
  open_engine(&t, 2, K, y, 0.5);
  t.e.m[0] = t.e.m[1] = 1.5;
  CHECK(invman_i_hinge_start(&t.e) == INVMAN_OK);
  t.e.rate[0] = 1e-3;
  t.e.driftless = 1;
  CHECK(invman_i_hinge_advance(&t.e, 1e9, &rest) == INVMAN_OK && rest && t.e.s == 0 && t.e.m[0] == 1.5);
  t.e.driftless = 0;
  CHECK(invman_i_hinge_advance(&t.e, 5, &rest) == INVMAN_OK && !rest && t.e.s == 5);
  CLOSE(t.e.m[0], 1.505, 1e-15);
  invman_i_close(&t.scope);
}

static void lazy_last_layers(void) { /* of networks on their way: a few directions, pushes that all but vanish */
  enum { P = 300, H = 500, D = 5 };
  double *K = (double *)malloc(P * P * sizeof(double)), a[P];
  uint64_t seed;
  for (seed = 1; seed <= 3; seed++) {
    test_problem q = make_problem(INVMAN_STRIPE, D, P, H, seed);
    invman_flow_options o;
    invman_lazy_info info;
    memset(&o, 0, sizeof o);
    o.t_max = 60 * H;
    CHECK(invman_train(NULL, &q.net, &q.train, &o, NULL) >= 0);
    CHECK(invman_ntk_gram(NULL, &q.net, INVMAN_NTK_LAST_LAYER, q.test.x, P, NULL, 0, K) == INVMAN_OK);
    CHECK(invman_lazy_train(NULL, K, q.test.y, P, NULL, a, &info) != INVMAN_STOPPED);
    CHECK(info.status >= 0 && info.s < 1e20 && info.loss < 1 && info.residual < 1e-5);
    free_problem(&q);
  }
  free(K);
}

/* What the callbacks saw. */
typedef struct lazy_log {
  size_t calls, stop_at, sliding;
  double s, loss;
  int fell, progressed;
} lazy_log;

static int log_lazy(const invman_lazy_info *info, void *user) {
  lazy_log *log = (lazy_log *)user;
  CHECK(log->calls == 0 ? info->s == 0 && info->loss == 1 && info->events == 0 : info->s >= log->s);
  CHECK(info->loss <= log->loss + 1e-13);
  if (info->sliding > log->sliding) log->sliding = info->sliding;
  log->s = info->s;
  log->loss = info->loss;
  return ++log->calls == log->stop_at;
}

static int stop_lazy(const char *stage, double done, void *user) {
  lazy_log *log = (lazy_log *)user;
  CHECK(!strcmp(stage, "lazy flow") && done >= 0 && done <= 1);
  return ++log->progressed > 10;
}

static void lazy_reports_and_limits(void) {
  enum { N = 150, D = 4 };
  test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 3);
  double *K = (double *)malloc(N * N * sizeof(double)), a[N], b[N], m[N], half;
  invman_lazy_options o = no_lazy_options();
  invman_lazy_info info, whole;
  invman_context ctx;
  lazy_log log;
  size_t i;
  memset(&log, 0, sizeof log);
  log.loss = 2;
  o.report = log_lazy;
  o.user = &log;
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, a, &whole) == INVMAN_OK);
  CHECK(log.calls > 1 && log.calls <= whole.events + 1 && log.s == whole.s && log.sliding == whole.sliding_max);

  o = no_lazy_options(); /* a limit in time is hit exactly: before the first event margins are s/n Q 1 */
  o.s_max = 1e-3;
  o.margin = m;
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, a, &info) == INVMAN_STOPPED);
  CHECK(info.s == 1e-3 && info.end == INVMAN_END_T_MAX && info.events == 0);
  for (i = 0; i < N; i++) CLOSE(a[i], q.train.y[i] * 1e-3 / N, 1e-18);
  for (i = 0; i < N; i++) {
    size_t j;
    double F = 0;
    for (j = 0; j < N; j++) F += K[i * N + j] * a[j];
    CLOSE(m[i], q.train.y[i] * F, 1e-16);
  }

  half = 0.5 * whole.s; /* halfway, points slide: the certificate holds there too */
  o.s_max = half;
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, a, &info) == INVMAN_STOPPED);
  CHECK(info.s == half && info.sliding > 0 && info.residual < 1e-12 && info.speed < 1e-12);
  CHECK(info.loss > 0 && info.unsatisfied > 0 && info.margin_min < 1);

  o = no_lazy_options();
  o.s_max = 2 * whole.s; /* later than its end */
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, b, &info) == INVMAN_OK && info.s == whole.s);

  o = no_lazy_options();
  o.event_max = 37;
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, b, &info) == INVMAN_STOPPED);
  CHECK(info.events == 37 && info.end == INVMAN_END_STEP_MAX);

  memset(&log, 0, sizeof log);
  log.loss = 2;
  log.stop_at = 5;
  o = no_lazy_options();
  o.report = log_lazy;
  o.user = &log;
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, &o, b, &info) == INVMAN_STOPPED);
  CHECK(log.calls == 5 && info.end == INVMAN_END_REPORT);

  memset(&log, 0, sizeof log);
  memset(&ctx, 0, sizeof ctx);
  ctx.progress = stop_lazy;
  ctx.user = &log;
  CHECK(invman_lazy_train(&ctx, K, q.train.y, N, NULL, b, &info) == INVMAN_STOPPED);
  CHECK(log.progressed == 11 && info.end == INVMAN_END_PROGRESS);
  free(K);
  free_problem(&q);
}

static void lazy_by_columns(void) { /* as with the whole matrix; more points than columns are kept */
  enum { N = 700, D = 4 };
  test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 8);
  double *K = (double *)malloc(N * N * sizeof(double)), a[N], b[N];
  invman_lazy_info whole, columns;
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, NULL, a, &whole) == INVMAN_OK);
  CHECK(invman_lazy_train_columns(NULL, ntk_of_column, &q.train, q.train.y, N, NULL, b, &columns) == INVMAN_OK);
  CHECK(whole.events == columns.events && whole.sliding_max == columns.sliding_max);
  CLOSE(columns.s, whole.s, 1e-9 * whole.s);
  CLOSE(largest_difference(a, b, N), 0, 1e-8 * invman_i_largest(a, N));
  free(K);
  free_problem(&q);
}

static void lazy_factor_is_made_anew(void) { /* where it has drifted, it is found out and mended */
  enum { N = 60 };
  double *K = random_kernel(N, 90, 5), *y = random_labels(N, 6);
  test_engine t;
  size_t i, events = 0;
  int rest = 0;
  open_engine(&t, N, K, y, 1.0 / N);
  CHECK(invman_i_hinge_start(&t.e) == INVMAN_OK);
  while (!rest && events++ < 10000) {
    if (events == 50)
      for (i = 0; i < t.e.free_count; i++) t.e.factor[i * t.e.capacity + i] *= 1 + 1e-3;
    CHECK(invman_i_hinge_advance(&t.e, HUGE_VAL, &rest) == INVMAN_OK);
  }
  CHECK(rest && t.e.refactored > 0);
  for (i = 0; i < N; i++) CHECK(t.e.m[i] > 1 - 1e-9);
  invman_i_close(&t.scope);
  free(K), free(y);
}

static void lazy_certificate_sees(void) { /* margins and rates that do not fit the pushes */
  enum { N = 3 };
  double K[N * N] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, y[N] = {1, 1, 1}, m[N] = {1, 1, 1}, a[N] = {1, 1, 1};
  invman_lazy_info info;
  test_engine t;
  open_engine(&t, N, K, y, 1);
  t.e.g[0] = 1, t.e.g[1] = 0, t.e.g[2] = 0.5;
  CHECK(invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 0 && info.unsatisfied == 0);
  m[0] = 1.25;
  CHECK(!invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 0.25 && info.unsatisfied == 0);
  m[0] = -1, m[1] = 0.5;
  CHECK(!invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 0.5 && info.unsatisfied == 2);
  m[1] = 7, m[2] = 1.125;
  CHECK(!invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 0.125 && info.unsatisfied == 1);
  m[2] = 0.75;
  CHECK(!invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 0.25 && info.unsatisfied == 2);
  a[2] = 1e13, m[2] = 1 - 1.0 / 32; /* 16 DBL_EPSILON 1e13 = 0.0355 */
  CHECK(invman_i_lazy_certify(&t.e, a, m, &info) && info.residual == 1.0 / 32 && info.unsatisfied == 1);
  a[2] = 1e16, m[2] = 0.9; /* never more than a twentieth */
  CHECK(!invman_i_lazy_certify(&t.e, a, m, &info) && info.unsatisfied == 2);
  m[2] = 0.75;
  CHECK(invman_i_lazy_speed(&t.e, 1, 2) == 0.5);
  t.e.state[0] = INVMAN_I_BELOW, t.e.state[1] = INVMAN_I_ABOVE, t.e.state[2] = INVMAN_I_FREE;
  CHECK(invman_i_lazy_speed(&t.e, 0, 2) == 0.25);
  invman_i_close(&t.scope);
}

static void lazy_same_bits_for_any_threads(void) {
  enum { N = 1200, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 8);
  double *K = (double *)malloc(N * N * sizeof(double)), a[N], b[N];
  invman_context ctx;
  invman_lazy_info one, two;
  size_t tasks = 0;
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = backwards;
  ctx.user = &tasks;
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_lazy_train(NULL, K, q.train.y, N, NULL, a, &one) == INVMAN_OK);
  CHECK(invman_lazy_train(&ctx, K, q.train.y, N, NULL, b, &two) == INVMAN_OK);
  CHECK(same_bits(a, b, N) && one.s == two.s && tasks > 0);
  free(K);
  free_problem(&q);
}

static void lazy_memory(void) { /* beside K: a fifth of it, or less */
  enum { N = 1000, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 8);
  double *K = (double *)malloc(N * N * sizeof(double)), a[N];
  test_heap heap;
  invman_context ctx = test_context(&heap);
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_lazy_train(&ctx, K, q.train.y, N, NULL, a, NULL) == INVMAN_OK);
  CHECK(heap.peak < N * N * sizeof(double) / 5);
  heap.peak = 0;
  CHECK(invman_lazy_train_columns(&ctx, ntk_of_column, &q.train, q.train.y, N, NULL, a, NULL) == INVMAN_OK);
  CHECK(heap.peak < N * N * sizeof(double) / 2 && heap.now == 0 && heap.blocks == 0);
  free(K);
  free_problem(&q);
}

static void column_of_nan(size_t j, double *column, void *arg) {
  size_t i;
  for (i = 0; i < 3; i++) column[i] = i == j;
  if (j == *(size_t *)arg) column[2] = NAN;
}

static void lazy_bad_input(void) {
  double K[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, y[3] = {1, -1, 1}, a[3] = {7, 7, 7};
  invman_lazy_options o = no_lazy_options();
  invman_error error;
  invman_context ctx;
  invman_lazy_info info;
  size_t bad = 1;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_lazy_train(&ctx, NULL, y, 3, NULL, a, &info) == INVMAN_E_ARG);
  CHECK(invman_lazy_train(&ctx, K, NULL, 3, NULL, a, &info) == INVMAN_E_ARG);
  CHECK(invman_lazy_train(&ctx, K, y, 0, NULL, a, &info) == INVMAN_E_ARG);
  CHECK(invman_lazy_train(&ctx, K, y, 3, NULL, NULL, &info) == INVMAN_E_ARG);
  CHECK(invman_lazy_train_columns(&ctx, NULL, NULL, y, 3, NULL, a, &info) == INVMAN_E_ARG);
  o.s_max = -1;
  CHECK(invman_lazy_train(&ctx, K, y, 3, &o, a, &info) == INVMAN_E_ARG);
  o.s_max = NAN;
  CHECK(invman_lazy_train(&ctx, K, y, 3, &o, a, &info) == INVMAN_E_ARG);
  CHECK(invman_lazy_train_columns(&ctx, column_of_nan, &bad, y, 3, NULL, a, &info) == INVMAN_E_NONFINITE);
  CHECK(error.place == 2 && !strcmp(error.unit, "element") && info.status == INVMAN_OK && info.s == 0);
  K[5] = HUGE_VAL;
  CHECK(invman_lazy_train(&ctx, K, y, 3, NULL, a, &info) == INVMAN_E_NONFINITE && error.place == 5);
  K[5] = 0, K[4] = -1e-3;
  CHECK(invman_lazy_train(&ctx, K, y, 3, NULL, a, &info) == INVMAN_E_ARG && error.place == 1);
  K[4] = 1, y[2] = 0;
  CHECK(invman_lazy_train(&ctx, K, y, 3, NULL, a, &info) == INVMAN_E_ARG && error.place == 2);
  y[2] = NAN;
  CHECK(invman_lazy_train(&ctx, K, y, 3, NULL, a, &info) == INVMAN_E_NONFINITE && error.place == 2);
  CHECK(a[0] == 7 && a[1] == 7 && a[2] == 7);
}

static void lazy_any_allocation_may_fail(void) {
  enum { N = 150, D = 4 };
  test_problem q = make_problem(INVMAN_STRIPE, D, N, 1, 3);
  double *K = (double *)malloc(N * N * sizeof(double)), a[N];
  size_t budget, columns;
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, N, NULL, 0, K) == INVMAN_OK);
  for (columns = 0; columns < 2; columns++) {
    invman_status status = INVMAN_E_NOMEM;
    for (budget = 1; status == INVMAN_E_NOMEM && budget < 500; budget++) {
      test_heap heap;
      invman_context ctx = test_context(&heap);
      heap.budget = budget;
      status = columns ? invman_lazy_train_columns(&ctx, ntk_of_column, &q.train, q.train.y, N, NULL, a, NULL)
                       : invman_lazy_train(&ctx, K, q.train.y, N, NULL, a, NULL);
      CHECK(status == INVMAN_OK || status == INVMAN_E_NOMEM);
      CHECK(heap.blocks == 0 && heap.now == 0);
    }
    CHECK(status == INVMAN_OK && budget > 10);
  }
  free(K);
  free_problem(&q);
}

static void lazy_tests(void) {
  RUN(lazy_golden);
  RUN(lazy_brute_force);
  RUN(lazy_closed_forms);
  RUN(lazy_one_point);
  RUN(lazy_nearly_singular_kernels);
  RUN(lazy_equal_points_count_twice);
  RUN(lazy_opposite_labels);
  RUN(lazy_any_kernel_ends);
  RUN(lazy_ill_conditioned);
  RUN(lazy_nothing_left_but_rounding);
  RUN(lazy_last_layers);
  RUN(lazy_reports_and_limits);
  RUN(lazy_by_columns);
  RUN(lazy_factor_is_made_anew);
  RUN(lazy_certificate_sees);
  RUN(lazy_same_bits_for_any_threads);
  RUN(lazy_memory);
  RUN(lazy_bad_input);
  RUN(lazy_any_allocation_may_fail);
}
