/* The paper's runs: minutes, not seconds. test DIRECTORY paper_ runs them alone. */

static void paper_stripe(void) { /* d = 5, p = 411, h = 10000, alpha = 1e-6 */
  test_problem q = make_problem(INVMAN_STRIPE, 5, 411, 10000, 1);
  double *before = (double *)malloc(10000 * sizeof(double)), worst = 0, began = test_clock();
  invman_flow_options o = no_options();
  invman_flow_info info;
  size_t n;
  for (n = 0; n < 10000; n++) before[n] = invariant(&q.net, n);
  o.test = &q.test;
  o.report_every = SIZE_MAX;
  CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK);
  CHECK(info.end == INVMAN_END_SATISFIED && info.step < 1500 && info.unsatisfied == 0 && info.loss < 2e-3);
  CHECK(info.lambda_star > 10 && info.lambda_star < 60); /* seeds scatter by a factor two either way about 25 */
  CHECK(info.test_error < 0.05);
  for (n = 0; n < 10000; n++) {
    double size = fmax(q.net.beta[n] * q.net.beta[n], fabs(before[n]));
    worst = fmax(worst, fabs(invariant(&q.net, n) - before[n]) / size);
  }
  CLOSE(worst, 0, 1e-9);
  printf("  %lu steps, %.1f s, t/h %.0f, Lambda* %.1f, test error %.4f, invariant kept to %.1e\n",
         (unsigned long)info.step, test_clock() - began, info.t / 10000, info.lambda_star, info.test_error, worst);
  free(before);
  free_problem(&q);
}

static void paper_more_points(void) {
  test_problem q = make_problem(INVMAN_STRIPE, 5, 2048, 2000, 1);
  invman_flow_options o = no_options();
  invman_flow_info info;
  o.report_every = SIZE_MAX;
  CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK);
  CHECK(info.step < 1500);
  free_problem(&q);
}

/* ---- Lambda* against p */

static int stop_at_t_star(const invman_flow_info *info, const invman_net *net, void *user) {
  (void)net;
  (void)user;
  return info->t_star > 0;
}

static double lambda_star(size_t d, size_t p, size_t h, uint64_t seed) {
  test_problem q = make_problem(INVMAN_STRIPE, d, p, h, seed);
  invman_flow_options o = no_options();
  invman_flow_info info;
  o.report = stop_at_t_star;
  if (invman_train(NULL, &q.net, &q.train, &o, &info) < 0 || !(info.t_star > 0)) CHECK(!"t* reached");
  free_problem(&q);
  return info.lambda_star;
}

/* The exponent of Lambda* for p = first, first factor, ... last, by least squares over medians, with its bootstrap 95 %
   interval. */
static double lambda_exponent(size_t d, size_t h, size_t first, size_t factor, size_t last, size_t seeds,
                              double interval[2]) {
  double lambda[16 * 32], at[16], exponent;
  size_t n = 0, p, i;
  invman_rng rng;
  for (p = first; p <= last; p *= factor, n++) {
    double sorted[32];
    at[n] = (double)p;
    for (i = 0; i < seeds; i++) lambda[n * seeds + i] = lambda_star(d, p, h, 100 + i);
    memcpy(sorted, lambda + n * seeds, seeds * sizeof(double));
    printf("  d %lu, p %5lu: Lambda* %.2f\n", (unsigned long)d, (unsigned long)p, median(sorted, seeds));
    fflush(stdout);
  }
  invman_rng_seed(&rng, 1, 1);
  CHECK(invman_median_power_law(NULL, at, lambda, n, seeds, 2000, &rng, &exponent, interval) == INVMAN_OK);
  printf("  exponent %.3f, 95 %% interval %.3f to %.3f\n", exponent, interval[0], interval[1]);
  return exponent;
}

static void paper_lambda_exponent(void) {
  /* A prototype gave 0.61, interval 0.46 to 0.71; the paper's 1/2 is the limit of large p. */
  double interval[2], exponent = lambda_exponent(5, 1000, 128, 2, 2048, TEST_WHOLE ? 21 : 9, interval);
  CHECK(exponent > 0.45 && exponent < 0.72);
}

/* ---- what a run gives does not hang on the tolerance */

typedef struct end_of_run {
  double t, t_star, lambda_star, t_low; /* t_low: first time with a loss below 0.01 */
} end_of_run;

static int watch_loss(const invman_flow_info *info, const invman_net *net, void *user) {
  double *t_low = (double *)user;
  (void)net;
  if (*t_low == 0 && info->loss < 0.01) *t_low = info->t;
  return 0;
}

static end_of_run run_to_end(int kind, uint64_t seed, double tol) {
  test_problem q =
      kind == INVMAN_STRIPE ? make_problem(kind, 5, 411, 2000, seed) : make_problem(kind, 3, 2048, 2000, seed);
  invman_flow_options o = no_options();
  invman_flow_info info;
  end_of_run end;
  end.t_low = 0;
  o.rotation_tol = o.margin_tol = tol;
  o.report = watch_loss;
  o.user = &end.t_low;
  CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK);
  end.t = info.t;
  end.t_star = info.t_star;
  end.lambda_star = info.lambda_star;
  free_problem(&q);
  return end;
}

/* How far the end time at the default tolerances is from that at a tenth of them. What is well conditioned is checked:
   t* and Lambda*, and when the loss falls below 0.01. */
static double compare_tolerances(int kind, uint64_t seed) {
  end_of_run loose = run_to_end(kind, seed, 0.1), tight = run_to_end(kind, seed, 0.01);
  CLOSE(loose.t_star / tight.t_star, 1, 0.01);
  CLOSE(loose.lambda_star / tight.lambda_star, 1, 0.05);
  CLOSE(loose.t_low / tight.t_low, 1, 0.1);
  printf(
      "  %s, seed %lu: t/h %.1f, at a tenth of the tolerances %.1f: %+.1f %%; t* %+.2f %%, Lambda* %+.2f %%, loss at "
      "0.01 %+.1f %%\n",
      kind == INVMAN_STRIPE ? "stripe" : "cylinder", (unsigned long)seed, loose.t / 2000, tight.t / 2000,
      100 * (loose.t / tight.t - 1), 100 * (loose.t_star / tight.t_star - 1),
      100 * (loose.lambda_star / tight.lambda_star - 1), 100 * (loose.t_low / tight.t_low - 1));
  fflush(stdout);
  return loose.t / tight.t - 1;
}

static void paper_end_time(void) {
  CLOSE(compare_tolerances(INVMAN_STRIPE, 1), 0, 0.2);
  if (TEST_WHOLE) CLOSE(compare_tolerances(INVMAN_STRIPE, 2), 0, 0.2);
}

/* ---- real digits */

static void paper_digits(void) {
  const char *dir = getenv("MNIST");
  char images[512], labels[512];
  invman_idx_options idx;
  invman_flow_options o = no_options();
  invman_flow_info info;
  invman_data all, train, test;
  invman_net net;
  invman_rng rng;
  memset(&idx, 0, sizeof idx);
  idx.centre = 1;
  if (!dir || !*dir) {
    test_skip("MNIST=DIRECTORY of the t10k files, unpacked, is not given");
    return;
  }
  snprintf(images, sizeof images, "%s/t10k-images-idx3-ubyte", dir);
  snprintf(labels, sizeof labels, "%s/t10k-labels-idx1-ubyte", dir);
  if (invman_data_read_idx(NULL, images, labels, &idx, &all) < 0) {
    CHECK(!"MNIST could be read");
    return;
  }
  CHECK(all.n == 10000 && all.d == 784);
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&all, &rng);
  train = test = all;
  train.n = 1000;
  test.n = 9000;
  test.x += 1000 * 784;
  test.y += 1000;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  CHECK(invman_net_init(NULL, TEST_WHOLE ? 1000 : 150, 784, &rng, &net) == INVMAN_OK);
  o.test = &test;
  o.report_every = SIZE_MAX;
  CHECK(invman_train(NULL, &net, &train, &o, &info) == INVMAN_OK);
  CHECK(info.unsatisfied == 0 && info.test_error < 0.13);
  printf("  %lu steps, %lu events, test error %.4f\n", (unsigned long)info.step, (unsigned long)info.events,
         info.test_error);
  invman_net_free(NULL, &net);
  invman_data_free(NULL, &all);
}

/* ---- the kernel half */

static void paper_gram(void) { /* p = 2000, h = 10000: in 26 MB, where Jacobians would take 1.1 GB */
  enum { P = 2000, H = 10000, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 1);
  double *K = (double *)malloc(P * P * sizeof(double)), took[3], began;
  test_heap heap;
  invman_context ctx = test_context(&heap);
  int k;
  for (k = 0; k < 3; k++) {
    began = test_clock();
    CHECK(invman_ntk_gram(&ctx, &q.net, INVMAN_NTK_ALL, q.train.x, P, NULL, 0, K) == INVMAN_OK);
    took[k] = test_clock() - began;
  }
  CHECK(heap.peak < 26e6);
  printf("  %.2f s, %.0f MB beside K\n", median(took, 3), (double)heap.peak / 1e6);
  free(K);
  free_problem(&q);
}

static void check_lazy_end(const invman_lazy_info *info, const double *a, const double *y, size_t n) {
  size_t i, wrong = 0;
  CHECK(info->status == INVMAN_OK && info->end == INVMAN_END_SATISFIED && info->unsatisfied == 0);
  CHECK(info->margin_min >= 1 - 1e-9 && info->residual < 1e-9);
  for (i = 0; i < n; i++) wrong += !(a[i] * y[i] >= 0);
  CHECK(wrong == 0);
  CHECK(info->events > n && info->events < 4 * n && (double)info->sliding_max < 6 * sqrt((double)n));
}

static void paper_lazy(void) { /* stripe, d = 5, p = 4096, infinite width: 4p events and a fifth of K are allowed */
  enum { P = 4096, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, P, 1, 1);
  double *K = (double *)malloc(sizeof(double) * P * P), *a = (double *)malloc(P * sizeof(double)), began;
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_lazy_info info;
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, q.train.x, P, NULL, 0, K) == INVMAN_OK);
  began = test_clock();
  CHECK(invman_lazy_train(&ctx, K, q.train.y, P, NULL, a, &info) == INVMAN_OK);
  check_lazy_end(&info, a, q.train.y, P);
  CHECK(heap.peak < sizeof(double) * P * P / 5);
  printf("  %.2f s, %lu events, %lu sliding, least margin 1 %+.0e, %.1f %% of K beside it\n", test_clock() - began,
         (unsigned long)info.events, (unsigned long)info.sliding_max, info.margin_min - 1,
         100 * (double)heap.peak / (sizeof(double) * P * P));
  free(K), free(a);
  free_problem(&q);
}

/* Test error of the predictor that the network's frozen kernel learns from `fresh`. */
static double kernel_error(const invman_net *net, const invman_data *fresh, const invman_data *test, double *mi) {
  size_t n = fresh->n, i, wrong = 0;
  double *K = (double *)malloc(n * n * sizeof(double)), *k = (double *)malloc(test->n * n * sizeof(double));
  double *a = (double *)malloc(n * sizeof(double)), *phi = (double *)malloc(n * sizeof(double)), lambda, omega2;
  CHECK(invman_ntk_gram(NULL, net, INVMAN_NTK_ALL, fresh->x, n, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram(NULL, net, INVMAN_NTK_ALL, test->x, test->n, fresh->x, n, k) == INVMAN_OK);
  CHECK(invman_lazy_train(NULL, K, fresh->y, n, NULL, a, NULL) == INVMAN_OK);
  CHECK(invman_kernel_pca(NULL, K, fresh->y, n, 1, &lambda, phi, &omega2) == INVMAN_OK);
  CHECK(invman_mutual_information(NULL, phi, 1, fresh->y, n, NULL, mi) == INVMAN_OK);
  for (i = 0; i < test->n; i++) wrong += !(invman_i_inner(k + i * n, a, n) * test->y[i] > 0);
  free(K), free(k), free(a), free(phi);
  return (double)wrong / (double)test->n;
}

static void paper_kernels(void) {
  /* Stripe, d = 5, p = 1000: training makes the first eigenvector informative (Fig. 9) and its kernel a better one on
     fresh points (Fig. 2). Measured 8 times and 4 times; asked: 5 times and 1.5 times. */
  enum { P = 1000, H = 1000, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 1);
  invman_flow_options o = no_options();
  invman_data_model model;
  invman_data fresh, test;
  invman_rng rng;
  double error[2], mi[2];
  memset(&model, 0, sizeof model);
  model.d = D;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_KERNEL);
  if (invman_data_sample(NULL, &model, P, &rng, &fresh) < 0) exit(1);
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TEST);
  if (invman_data_sample(NULL, &model, 5000, &rng, &test) < 0) exit(1);
  o.report_every = SIZE_MAX;
  error[0] = kernel_error(&q.net, &fresh, &test, &mi[0]);
  CHECK(invman_train(NULL, &q.net, &q.train, &o, NULL) == INVMAN_OK);
  error[1] = kernel_error(&q.net, &fresh, &test, &mi[1]);
  CHECK(mi[1] > 5 * mi[0] && mi[1] > 0.4);
  CHECK(error[0] > 1.5 * error[1] && error[0] < 0.1);
  printf("  start: error %.4f, I(phi_1; y) %.3f bit; end: %.4f, %.3f\n", error[0], mi[0], error[1], mi[1]);
  invman_data_free(NULL, &fresh);
  invman_data_free(NULL, &test);
  free_problem(&q);
}

/* ---- Fig. 3a: neurons of a real run against Eq. (5) and (7) */

enum { TRACE_H = 500, TRACE_D = 2, TRACE_NEURONS = 60, TRACE_STEPS = 400 };

typedef struct neuron_trace {
  double t[TRACE_STEPS], state[TRACE_NEURONS][TRACE_STEPS][4]; /* omega_1, omega_2, b, beta */
  size_t steps;
} neuron_trace;

static void trace_neurons(neuron_trace *trace, const invman_net *net, double t) {
  size_t k, s = trace->steps++;
  trace->t[s] = t / TRACE_H;
  for (k = 0; k < TRACE_NEURONS; k++) {
    trace->state[k][s][0] = net->w[k * TRACE_D];
    trace->state[k][s][1] = net->w[k * TRACE_D + 1];
    trace->state[k][s][2] = net->b[k];
    trace->state[k][s][3] = net->beta[k];
  }
}

static int trace_until_t_star(const invman_flow_info *info, const invman_net *net, void *user) {
  neuron_trace *trace = (neuron_trace *)user;
  if (trace->steps < TRACE_STEPS) trace_neurons(trace, net, info->t);
  return info->t_star > 0;
}

/* The largest difference of component `c` over the first n times, as a share of its largest value. */
static double trace_error(double (*real)[4], const double *ode, size_t n, int c) {
  double worst = 0, size = 0;
  size_t s;
  for (s = 0; s < n; s++) {
    worst = fmax(worst, fabs(ode[4 * s + (size_t)c] - real[s][c]));
    size = fmax(size, fabs(real[s][c]));
  }
  return worst / size;
}

/* Of the neurons of one run that grow tenfold, how many are followed within 10 % in omega_1 and beta; `first`: the
   first neuron's largest error. */
static size_t follow_neurons(uint64_t seed, size_t *grown, double *first) {
  test_problem q = make_problem(INVMAN_STRIPE, TRACE_D, 10000, TRACE_H, seed);
  neuron_trace *trace = (neuron_trace *)calloc(1, sizeof *trace);
  double *ode = (double *)malloc(4 * TRACE_STEPS * sizeof(double));
  invman_flow_options o = no_options();
  invman_flow_info info;
  invman_fixed_point f[3];
  size_t k, n, found, good = 0;
  trace_neurons(trace, &q.net, 0);
  o.report = trace_until_t_star;
  o.user = trace;
  CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_STOPPED && info.t_star > 0);
  CHECK(trace->steps < TRACE_STEPS);
  CHECK(invman_stripe_fixed_points(NULL, 0, TRACE_D, f, 3, &found) == INVMAN_OK && found == 3);
  for (n = trace->steps; n > 1 && trace->t[n - 1] > 0.9 * info.t_star / TRACE_H;) n--;
  for (k = 0; k < TRACE_NEURONS; k++) {
    double(*real)[4] = trace->state[k], *end = real[trace->steps - 1], noise[TRACE_D + 1], error;
    double z = -sqrt(2.0) * end[2] * end[0] / (end[0] * end[0] + end[1] * end[1]);
    size_t at = end[0] > 0 ? (fabs(z - f[0].z) < fabs(z - f[1].z) ? 0 : 1) : 2;
    if (fabs(end[3]) < 10 * fabs(real[0][3])) continue;
    invman_stripe_noise(&q.train, NULL, 0, f[at].z, f[at].sign, noise);
    CHECK(invman_stripe_noisy_ode(NULL, NULL, 0, TRACE_D, real[0], noise, trace->t, n, ode) == INVMAN_OK);
    error = fmax(trace_error(real, ode, n, 0), trace_error(real, ode, n, 3));
    if (k == 0) *first = error;
    good += error < 0.1;
    ++*grown;
  }
  free(trace), free(ode);
  free_problem(&q);
  return good;
}

static void paper_neurons(void) {
  /* d = 2, p = 10000, up to 0.9 t*, from a neuron's initial weights, with the data's fluctuation at its attractor. Asked:
     10 % of the first neuron (it grows 1400 times; 0.1 % measured), and of seven in ten of those that grow tenfold
     (measured 76 to 89 % in six seeds: on its way a neuron sees another fluctuation than the one where it goes). */
  size_t grown = 0, good = 0;
  double first[3] = {HUGE_VAL, HUGE_VAL, HUGE_VAL};
  uint64_t seed;
  for (seed = 1; seed <= 3; seed++) good += follow_neurons(seed, &grown, &first[seed - 1]);
  CHECK(first[0] < 0.1);
  CHECK(grown > 90 && 10 * good >= 7 * grown);
  printf("  the first neuron: within %.2f %%; %lu of %lu neurons within 10 %%\n", 100 * first[0], (unsigned long)good,
         (unsigned long)grown);
}

static void paper_tests(void) {
  RUN_LONG(paper_stripe, 600);
  RUN_LONG(paper_more_points, 600);
  RUN_LONG(paper_lambda_exponent, 600);
  RUN_LONG(paper_end_time, 600);
  RUN_LONG(paper_gram, 600);
  RUN_LONG(paper_lazy, 600);
  RUN_LONG(paper_kernels, 600);
  RUN_LONG(paper_neurons, 600);
  RUN_LONG(paper_digits, 600);
}

/* ---- what takes minutes */

static void slow_lambda_exponent(void) { /* the paper's 1/2, approached from above: the interval contains it */
  double interval[2];
  lambda_exponent(10, 1000, 512, 2, 8192, 21, interval);
  CHECK(interval[0] < 0.5 && 0.5 < interval[1]);
}

/* Every end time within 20 %. The cylinder's seed 4 is not, and fails here: its last point hangs on a few neurons, and
   which ones they are on rounding; weights changed by 1e-8 move its end time by 40 %, at a tenth of the default
   tolerances as well. */
static void slow_end_time(void) {
  uint64_t seed;
  int kind;
  for (kind = INVMAN_STRIPE; kind <= INVMAN_CYLINDER; kind++)
    for (seed = 1; seed <= 4; seed++) CLOSE(compare_tolerances(kind, seed), 0, 0.2);
}

static void slow_lazy_columns(void) { /* p = 16384 without the matrix: 4p events and 3 GB are allowed */
  enum { P = 16384, D = 5 };
  test_problem q = make_problem(INVMAN_STRIPE, D, P, 1, 1);
  double *a = (double *)malloc(P * sizeof(double)), began = test_clock();
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_lazy_info info;
  CHECK(invman_lazy_train_columns(&ctx, ntk_of_column, &q.train, q.train.y, P, NULL, a, &info) == INVMAN_OK);
  check_lazy_end(&info, a, q.train.y, P);
  CHECK(heap.peak < 3e9);
  printf("  %.0f s, %lu events, %lu sliding, least margin 1 %+.0e, %.0f MB\n", test_clock() - began,
         (unsigned long)info.events, (unsigned long)info.sliding_max, info.margin_min - 1, (double)heap.peak / 1e6);
  free(a);
  free_problem(&q);
}

static void slow_tests(void) {
  RUN_LONG(slow_lazy_columns, 36000);
  RUN_LONG(slow_end_time, 36000);
  RUN_LONG(slow_lambda_exponent, 36000);
}
