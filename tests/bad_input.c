/* Bad input: a negative status, its place, empty outputs, the network untouched. */

static invman_error bad_error;

static invman_context bad_context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(&bad_error, 0, sizeof bad_error);
  ctx.error = &bad_error;
  return ctx;
}

static double never(const double *x_par, size_t d_par, void *user) {
  (void)d_par;
  (void)user;
  return x_par[0] > 1 ? 0 : 1;
}

static void bad_models(void) {
  static const double falling[2] = {1, 0}, endless[2] = {0, HUGE_VAL};
  invman_context ctx = bad_context();
  invman_data data;
  invman_rng rng;
  size_t k;
  invman_rng_seed(&rng, 1, 1);
  for (k = 0; k < 14; k++) {
    invman_data_model m = a_model(INVMAN_STRIPE, 3);
    size_t n = 10;
    invman_status wanted = INVMAN_E_ARG, status;
    if (k == 0) m.d = 0;
    if (k == 1) n = 0;
    if (k == 2) m.kind = 7;
    if (k == 3) m.d_par = 4;
    if (k == 4) m.d_par = 2; /* stripes have one */
    if (k == 5) m.interfaces = falling, m.interface_count = 2;
    if (k == 6) m.interfaces = endless, m.interface_count = 2;
    if (k == 7) m.interfaces = endless;
    if (k == 8) m.kind = INVMAN_CYLINDER, m.radius = -1;
    if (k == 9) m.kind = INVMAN_CUSTOM;
    if (k == 10) m.kind = INVMAN_CUSTOM, m.label = never, n = 1000;
    if (k == 11) m.compression = -2;
    if (k == 12) m.d = (size_t)1 << 33, n = (size_t)1 << 40, wanted = INVMAN_E_SIZE;
    if (k == 13) m.kind = INVMAN_CYLINDER, m.radius = HUGE_VAL;
    data.n = 5;
    data.x = data.y = NULL;
    status = invman_data_sample(&ctx, &m, n, &rng, &data);
    if (status != wanted) test_fail(__FILE__, __LINE__, "model %lu: status %d", (unsigned long)k, (int)status);
    CHECK(data.n == 0 && data.x == NULL && bad_error.what != NULL);
  }
  CHECK(invman_data_sample(&ctx, NULL, 1, &rng, &data) == INVMAN_E_ARG);
  CHECK(invman_data_sample(&ctx, NULL, 1, &rng, NULL) == INVMAN_E_ARG);
}

static void bad_networks(void) {
  invman_context ctx = bad_context();
  invman_net net = random_net(4, 3, 1), out, empty;
  invman_rng rng;
  double x[6] = {1, 2, 3, 4, 5, 6}, r[2] = {1, 1}, f[2];
  memset(&empty, 0, sizeof empty);
  memset(&out, 0, sizeof out);
  invman_rng_seed(&rng, 1, 1);
  CHECK(invman_net_init(&ctx, 0, 3, &rng, &out) == INVMAN_E_ARG &&
        invman_net_init(&ctx, 3, 0, &rng, &out) == INVMAN_E_ARG);
  CHECK(invman_net_init(&ctx, SIZE_MAX / 4, 8, &rng, &out) == INVMAN_E_SIZE && out.w == NULL);
  CHECK(invman_net_init(&ctx, SIZE_MAX / 32, 1, &rng, &out) < 0 && out.w == NULL);
  CHECK(invman_net_eval(&ctx, &empty, x, 2, f) == INVMAN_E_ARG && invman_net_eval(&ctx, NULL, x, 2, f) == INVMAN_E_ARG);
  CHECK(invman_net_eval(&ctx, &net, NULL, 2, f) == INVMAN_E_ARG &&
        invman_net_eval(&ctx, &net, x, 2, NULL) == INVMAN_E_ARG);
  CHECK(invman_net_eval(&ctx, &net, x, SIZE_MAX / 2, f) == INVMAN_E_SIZE);
  CHECK(invman_net_eval(&ctx, &net, x, 0, f) == INVMAN_OK);
  CHECK(invman_net_gradient(&ctx, &net, x, 2, r, NULL) == INVMAN_E_ARG);
  out = random_net(5, 3, 1);
  CHECK(invman_net_gradient(&ctx, &net, x, 2, r, &out) == INVMAN_E_ARG);
  invman_net_free(NULL, &out);
  x[4] = NAN;
  CHECK(invman_net_eval(&ctx, &net, x, 2, f) == INVMAN_E_NONFINITE && bad_error.place == 4);
  CHECK(invman_net_gradient(&ctx, &net, x, 2, r, &out) == INVMAN_E_NONFINITE && bad_error.place == 4 && out.w == NULL);
  x[4] = 0;
  r[1] = HUGE_VAL;
  CHECK(invman_net_gradient(&ctx, &net, x, 2, r, &out) == INVMAN_E_NONFINITE && bad_error.place == 1);
  net.beta[2] = -HUGE_VAL;
  CHECK(invman_net_copy(&ctx, &net, &out) == INVMAN_E_NONFINITE && bad_error.place == 2 && out.w == NULL);
  invman_net_free(NULL, &net);
  invman_net_free(NULL, NULL);
  invman_data_free(NULL, NULL);
  invman_flow_free(NULL);
}

static void bad_flows(void) {
  invman_context ctx = bad_context();
  size_t k;
  for (k = 0; k < 26; k++) {
    test_problem q = make_problem(INVMAN_STRIPE, 3, 10, 8, 2), other = make_problem(INVMAN_STRIPE, 4, 10, 8, 2);
    invman_flow_options o = no_options();
    invman_flow *flow = (invman_flow *)&q;
    invman_status wanted = INVMAN_E_ARG, status;
    invman_net before;
    size_t place = 0, n = q.train.n, d = q.train.d;
    int no_net = 0;
    if (k == 0) q.train.n = 0;
    if (k == 1) q.train.d = 0;
    if (k == 2) q.train.y[3] = 0, place = 3;
    if (k == 3) q.train.y[9] = 2, place = 9;
    if (k == 4) q.train.y[1] = NAN, place = 1, wanted = INVMAN_E_NONFINITE;
    if (k == 5) q.train.x[7] = NAN, place = 7, wanted = INVMAN_E_NONFINITE;
    if (k == 6) q.train.x[29] = -HUGE_VAL, place = 29, wanted = INVMAN_E_NONFINITE;
    if (k == 7)
      for (n = 0; n < 10; n++) q.train.y[n] = 1; /* one class */
    if (k == 8) o.test = &other.test;            /* another dimension */
    if (k == 9) q.net.w[5] = NAN, place = 5, wanted = INVMAN_E_NONFINITE;
    if (k == 10) q.net.b[2] = HUGE_VAL, place = 2, wanted = INVMAN_E_NONFINITE;
    if (k == 11) o.alpha = -1;
    if (k == 12) o.alpha = NAN;
    if (k == 13) o.loss = 3;
    if (k == 14) o.loss_beta = -1;
    if (k == 15) o.rotation_tol = 2;
    if (k == 16) o.margin_tol = NAN;
    if (k == 17) o.margin_stop = 1;
    if (k == 18) o.tstar_fraction = 1.5;
    if (k == 19) o.t_max = -1;
    if (k == 20) o.d_par = 4;
    if (k == 21) q.train.n = SIZE_MAX / 2, wanted = INVMAN_E_SIZE;
    if (k == 22) no_net = 1;
    if (k == 23) ctx.alloc = test_alloc; /* without release */
    if (k == 24) o.relative_tol = 1.5;
    if (k == 25) o.relative_tol = NAN;
    if (k != 9 && k != 10) invman_net_copy(NULL, &q.net, &before);
    bad_error.place = 0;
    status = invman_flow_create(&ctx, no_net ? NULL : &q.net, &q.train, &o, &flow);
    if (status != wanted || bad_error.place != place)
      test_fail(__FILE__, __LINE__, "flow %lu: status %d, place %lu", (unsigned long)k, (int)status,
                (unsigned long)bad_error.place);
    CHECK(flow == NULL);
    if (k != 9 && k != 10) {
      CHECK(same_net(&before, &q.net));
      invman_net_free(NULL, &before);
    }
    q.train.n = n;
    q.train.d = d;
    free_problem(&q);
    free_problem(&other);
  }
  CHECK(invman_flow_step(NULL) == INVMAN_E_ARG && invman_flow_run(NULL) == INVMAN_E_ARG);
  CHECK(invman_flow_save(NULL, "x") == INVMAN_E_ARG && invman_flow_get_info(NULL) == NULL);
}

static void bad_names(void) { /* every status and end has a name, and other numbers have one too */
  int k;
  for (k = -10; k < 10; k++) {
    CHECK(invman_status_string((invman_status)k)[0] != 0 && invman_end_string(k)[0] != 0);
    CHECK((strcmp(invman_status_string((invman_status)k), "unknown status") != 0) == (k >= -6 && k <= 3));
    CHECK((strcmp(invman_end_string(k), "unknown end") != 0) == (k >= 0 && k <= 7));
  }
  CHECK(invman_version() == INVMAN_VERSION);
}

/* ---- NULL where it means nothing. Each call is made with one of its pointers NULL, in turn, and then with none. */

static size_t null_at;
#define PTR(k, pointer) (null_at == (k) ? NULL : (pointer))
#define REFUSES(pointers, call)                                                                               \
  for (null_at = 0; null_at <= (pointers); null_at++) {                                                       \
    invman_status status_ = (call);                                                                           \
    if (null_at < (pointers) ? status_ != INVMAN_E_ARG : status_ < 0)                                         \
      test_fail(__FILE__, __LINE__, "%s: pointer %lu NULL: %d", #call, (unsigned long)null_at, (int)status_); \
  }
#define IS_ZERO(pointers, call)                      \
  for (null_at = 0; null_at < (pointers); null_at++) \
    if ((double)(call) != 0) test_fail(__FILE__, __LINE__, "%s: pointer %lu NULL: not 0", #call, (unsigned long)null_at)
#define DOES_NOTHING(pointers, call) \
  for (null_at = 0; null_at < (pointers); null_at++) call

enum { NULL_N = 12, NULL_D = 3 };

typedef struct null_things {
  test_problem q;
  invman_rng rng;
  double K[NULL_N * NULL_N], U[NULL_N * NULL_N], D[NULL_N * NULL_N], M[NULL_N * NULL_N], lambda[NULL_N];
  double x[NULL_N * NULL_D], y[NULL_N], r[NULL_N], g[NULL_N], out[4000], more[4000];
  invman_net net;
  invman_convnet *conv;
} null_things;

static null_things null_make(void) {
  null_things a;
  invman_convnet_options c;
  size_t i, j;
  memset(&a, 0, sizeof a);
  a.q = make_problem(INVMAN_STRIPE, NULL_D, NULL_N, 4, 3);
  memcpy(a.x, a.q.train.x, sizeof a.x);
  memcpy(a.y, a.q.train.y, sizeof a.y);
  invman_rng_seed(&a.rng, 1, 1);
  for (i = 0; i < NULL_N; i++) {
    a.r[i] = 1 + (double)i, a.g[i] = 1;
    for (j = 0; j < NULL_N; j++) {
      a.K[i * NULL_N + j] = invman_i_inner(a.x + i * NULL_D, a.x + j * NULL_D, NULL_D) + (i == j);
      a.M[i * NULL_N + j] = 1.0 / NULL_N;
    }
  }
  memcpy(a.U, a.K, sizeof a.K);
  CHECK(invman_eigh(NULL, NULL_N, a.U, a.lambda) == INVMAN_OK);
  CHECK(invman_point_distances(NULL, a.x, NULL_N, NULL_D, a.D) == INVMAN_OK);
  a.net = a.q.net;
  memset(&c, 0, sizeof c);
  c.channels = 1, c.height = c.width = 8, c.width_factor = 1, c.blocks = 1;
  CHECK(invman_convnet_create(NULL, &c, &a.rng, &a.conv) == INVMAN_OK);
  return a;
}

static double *null_matrix(null_things *a) { return (double *)memcpy(a->out, a->K, sizeof a->K); }

static void null_apply(const double *x, double *y, size_t n, void *arg) {
  size_t i;
  (void)arg;
  for (i = 0; i < n; i++) y[i] = (double)(i + 1) * x[i];
}

static void null_column(size_t j, double *column, void *arg) {
  memcpy(column, (const double *)arg + j * NULL_N, NULL_N * sizeof(double));
}

static void null_basics(void) {
  null_things a = null_make();
  invman_data_model model = a_model(INVMAN_STRIPE, 3);
  invman_data data;
  invman_net net, grad;
  const char *csv = in_test_dir("null.csv"), *path = in_test_dir("null.net");
  write_bytes(csv, "1,2,1\n3,4,-1\n", 13);
  memset(&grad, 0, sizeof grad);
  DOES_NOTHING(1, invman_rng_seed(PTR(0, &a.rng), 1, 1));
  IS_ZERO(1, invman_rng_next(PTR(0, &a.rng)));
  IS_ZERO(1, invman_rng_uniform(PTR(0, &a.rng)));
  IS_ZERO(1, invman_rng_normal(PTR(0, &a.rng)));
  REFUSES(3, invman_data_sample(NULL, PTR(0, &model), 5, PTR(1, &a.rng), PTR(2, &data)));
  invman_data_free(NULL, &data);
  REFUSES(2, invman_data_read_csv(NULL, PTR(0, csv), PTR(1, &data)));
  DOES_NOTHING(2, invman_data_shuffle(PTR(0, &data), PTR(1, &a.rng)));
  invman_data_free(NULL, &data);
  memset(&net, 0, sizeof net);
  for (null_at = 0; null_at < 3; null_at++)
    CHECK(invman_data_read_idx(NULL, PTR(0, csv), PTR(1, csv), NULL, PTR(2, &data)) == INVMAN_E_ARG);
  data.n = 2, data.d = 2, data.x = NULL, data.y = NULL;
  invman_data_shuffle(&data, &a.rng);
  REFUSES(2, invman_net_init(NULL, 4, 3, PTR(0, &a.rng), PTR(1, &net)));
  invman_net_free(NULL, &net);
  REFUSES(2, invman_net_init_orthogonal(NULL, 4, 3, PTR(0, &a.rng), PTR(1, &net)));
  invman_net_free(NULL, &net);
  REFUSES(2, invman_net_copy(NULL, PTR(0, &a.net), PTR(1, &net)));
  invman_net_free(NULL, &net);
  REFUSES(3, invman_net_eval(NULL, PTR(0, &a.net), PTR(1, a.x), NULL_N, PTR(2, a.out)));
  REFUSES(4, invman_net_gradient(NULL, PTR(0, &a.net), PTR(1, a.x), NULL_N, PTR(2, a.r), PTR(3, &grad)));
  invman_net_free(NULL, &grad);
  REFUSES(2, invman_net_save(NULL, PTR(0, &a.net), PTR(1, path)));
  REFUSES(2, invman_net_load(NULL, PTR(0, path), PTR(1, &net)));
  invman_net_free(NULL, &net);
  IS_ZERO(1, invman_amplification(PTR(0, &a.net), 1));
  DOES_NOTHING(2, invman_neuron_vectors(PTR(0, &a.net), PTR(1, a.out)));
  memset(&net, 0, sizeof net);
  net.h = 3, net.d = 2;
  invman_neuron_vectors(&net, a.out);
  CHECK(invman_amplification(&net, 1) == 0);
  CHECK(invman_net_eval(NULL, &net, a.x, 1, a.out) == INVMAN_E_ARG);
  invman_net_free(NULL, &a.net);
  a.q.net = net;
  memset(&a.q.net, 0, sizeof net);
  free_problem(&a.q);
  invman_convnet_free(a.conv);
}

static void null_flows(void) {
  null_things a = null_make();
  invman_flow *flow = NULL, *other = NULL;
  invman_model model = invman_convnet_model(a.conv);
  invman_net net;
  invman_flow_options o = no_options();
  invman_lazy_info info;
  invman_data images;
  const char *path = in_test_dir("null.flow");
  const double one = 1;
  double *x = normals(4 * 64, 1);
  o.step_max = 1;
  images = a.q.train;
  images.n = 4, images.d = 64, images.x = x;
  a.y[0] = 1, a.y[1] = -1, images.y = a.y;
  for (null_at = 0; null_at < 3; null_at++)
    CHECK(invman_flow_create(NULL, PTR(0, &a.net), PTR(1, &a.q.train), &o, PTR(2, &flow)) == INVMAN_E_ARG);
  CHECK(invman_flow_create(NULL, &a.net, &a.q.train, &o, &flow) == INVMAN_OK);
  REFUSES(1, invman_flow_step(PTR(0, flow)));
  REFUSES(1, invman_flow_run(PTR(0, flow)));
  CHECK(invman_flow_get_info(NULL) == NULL);
  REFUSES(3, invman_flow_predict(PTR(0, flow), PTR(1, a.x), NULL_N, PTR(2, a.out)));
  REFUSES(2, invman_flow_save(PTR(0, flow), PTR(1, path)));
  memset(&net, 0, sizeof net);
  for (null_at = 0; null_at < 4; null_at++)
    CHECK(invman_flow_resume(NULL, PTR(0, path), PTR(1, &net), PTR(2, &a.q.train), &o, PTR(3, &other)) == INVMAN_E_ARG);
  invman_flow_free(flow);
  REFUSES(2, invman_train(NULL, PTR(0, &a.net), PTR(1, &a.q.train), &o, NULL));
  REFUSES(2, invman_train_model(NULL, PTR(0, &model), PTR(1, &images), &o, NULL));
  REFUSES(2, invman_model_check(NULL, PTR(0, &model), PTR(1, x), 1, 64));
  for (null_at = 0; null_at < 3; null_at++)
    CHECK(invman_flow_create_model(NULL, PTR(0, &model), PTR(1, &images), &o, PTR(2, &flow)) == INVMAN_E_ARG);
  CHECK(invman_flow_create_model(NULL, &model, &images, &o, &flow) == INVMAN_OK);
  CHECK(invman_flow_save(flow, path) == INVMAN_OK);
  invman_flow_free(flow);
  for (null_at = 0; null_at < 4; null_at++)
    CHECK(invman_flow_resume_model(NULL, PTR(0, path), PTR(1, &model), PTR(2, &images), &o, PTR(3, &other)) ==
          INVMAN_E_ARG);
  images.x = NULL;
  CHECK(invman_train_model(NULL, &model, &images, &o, NULL) == INVMAN_E_ARG);
  REFUSES(3, invman_ntk_gram(NULL, PTR(0, &a.net), 0, PTR(1, a.x), NULL_N, NULL, 0, PTR(2, a.out)));
  REFUSES(2, invman_ntk_gram_infinite(NULL, NULL_D, 0, PTR(0, a.x), NULL_N, NULL, 0, PTR(1, a.out)));
  memcpy(a.y, a.q.train.y, sizeof a.y);
  REFUSES(3, invman_lazy_train(NULL, PTR(0, a.K), PTR(1, a.y), NULL_N, NULL, PTR(2, a.out), &info));
  REFUSES(3, invman_lazy_train_columns(NULL, PTR(0, null_column), a.K, PTR(1, a.y), NULL_N, NULL, PTR(2, a.out), NULL));
  REFUSES(4, invman_lazy_regression(NULL, PTR(0, a.K), PTR(1, a.y), NULL_N, PTR(2, &one), 1, PTR(3, a.out)));
  REFUSES(3, invman_box_qp(NULL, PTR(0, a.K), PTR(1, a.y), NULL, NULL, NULL_N, PTR(2, a.out), NULL));
  free(x);
  invman_convnet_free(a.conv);
  free_problem(&a.q);
}

static void null_measures(void) {
  null_things a = null_make();
  const double t[2] = {0, 1}, start[5] = {1, 1, 1, 1, 1}, noise[4] = {0, 0, 0, 0};
  size_t found;
  invman_fixed_point fixed[8];
  invman_mi_options mi;
  memset(&mi, 0, sizeof mi);
  mi.k = 1;
  REFUSES(2, invman_eigh(NULL, NULL_N, PTR(0, null_matrix(&a)), PTR(1, a.more)));
  REFUSES(2, invman_eigvalsh(NULL, NULL_N, PTR(0, null_matrix(&a)), PTR(1, a.more)));
  REFUSES(3, invman_eigh_top(NULL, NULL_N, 2, PTR(0, null_apply), NULL, 0, PTR(1, a.more), PTR(2, a.out)));
  REFUSES(2, invman_kernel_pca(NULL, PTR(0, a.K), PTR(1, a.y), NULL_N, 2, a.out, a.out + 9, a.more));
  REFUSES(3, invman_mutual_information(NULL, PTR(0, a.x), NULL_D, PTR(1, a.y), NULL_N, &mi, PTR(2, a.out)));
  REFUSES(3, invman_mutual_information_null(NULL, PTR(0, a.x), NULL_D, PTR(1, a.y), NULL_N, &mi, 2, PTR(2, &a.rng),
                                            a.out, NULL));
  REFUSES(1, invman_intrinsic_dimension(NULL, PTR(0, a.K), NULL_N, a.out, NULL));
  IS_ZERO(1, invman_duplicates(PTR(0, a.K), NULL_N));
  REFUSES(2, invman_fit_power_law(NULL, PTR(0, a.r), PTR(1, a.r), NULL_N, a.out, NULL));
  REFUSES(3, invman_median_power_law(NULL, PTR(0, a.r), PTR(1, a.r), NULL_N, 1, 0, PTR(2, &a.rng), a.out, NULL));
  DOES_NOTHING(1, invman_stripe_averages(NULL, 0, 3, 1, 1, 0, PTR(0, a.out)));
  DOES_NOTHING(1, invman_stripe_integrals(NULL, 0, 0, 1, NULL, PTR(0, a.out)));
  REFUSES(2, invman_stripe_fixed_points(NULL, 0, 3, PTR(0, fixed), 8, PTR(1, &found)));
  REFUSES(3, invman_stripe_neuron_ode(NULL, NULL, 0, 3, PTR(0, start), PTR(1, t), 2, PTR(2, a.out)));
  REFUSES(3, invman_stripe_noisy_ode(NULL, NULL, 0, 3, PTR(0, start), noise, PTR(1, t), 2, PTR(2, a.out)));
  DOES_NOTHING(2, invman_stripe_noise(PTR(0, &a.q.train), NULL, 0, 0, 1, PTR(1, a.out)));
  invman_convnet_free(a.conv);
  free_problem(&a.q);
}

static void null_spectra(void) {
  null_things a = null_make();
  double *o = a.out, *m = a.more;
  size_t used, n = NULL_N, d = NULL_D;
  invman_spectrum spectrum;
  invman_angles angles;
  invman_collapse collapse;
  REFUSES(2, invman_spectral_measures(NULL, PTR(0, a.lambda), n, 0, 0, PTR(1, &spectrum)));
  REFUSES(1, invman_von_neumann_entropy(NULL, PTR(0, a.K), n, o));
  IS_ZERO(1, invman_unexplained_area(PTR(0, a.lambda), n, n));
  REFUSES(2, invman_ridge_leverage(NULL, PTR(0, a.lambda), PTR(1, a.U), n, 1, o, m));
  REFUSES(2, invman_target_alignment(NULL, PTR(0, a.K), PTR(1, a.y), n, o));
  REFUSES(2, invman_cumulative_power(NULL, PTR(0, a.U), PTR(1, a.y), n, o));
  REFUSES(3, invman_rkhs_norm(NULL, PTR(0, a.lambda), PTR(1, a.U), PTR(2, a.y), n, 0, o, &used));
  REFUSES(4, invman_spectral_predictor(NULL, PTR(0, a.lambda), PTR(1, a.U), PTR(2, a.y), n, 3, 0, PTR(3, a.K), n, o));
  REFUSES(3, invman_nystrom_extension(NULL, PTR(0, a.lambda), PTR(1, a.U), n, 3, PTR(2, a.K), n, o));
  REFUSES(2, invman_centred_alignment(NULL, PTR(0, a.K), PTR(1, a.K), n, 0, o));
  REFUSES(2, invman_principal_angles(NULL, PTR(0, a.x), 2, PTR(1, a.x), 1, d, o, &angles));
  REFUSES(2, invman_subspace_norms(NULL, PTR(0, a.x), 2, d, PTR(1, a.x), n, o, m));
  REFUSES(1, invman_weight_covariance(NULL, PTR(0, &a.net), 0, o));
  IS_ZERO(1, invman_metric_amplification(PTR(0, a.K), d, 1));
  REFUSES(2, invman_input_gradient(NULL, PTR(0, &a.net), PTR(1, a.x), n, o));
  REFUSES(1, invman_active_subspace(NULL, PTR(0, a.x), n, d, 0, o, NULL, NULL, NULL));
  REFUSES(1, invman_stein_moments(NULL, PTR(0, &a.q.train), o, m));
  REFUSES(2, invman_stein_directions(NULL, PTR(0, &a.q.train), 2, PTR(1, &a.rng), o, m, NULL, &used));
  REFUSES(2, invman_pullback_metric(NULL, PTR(0, &a.net), PTR(1, a.x), n, 1, o, m, NULL));
  REFUSES(2, invman_neural_collapse(NULL, PTR(0, a.K), PTR(1, a.y), n, &collapse));
  invman_convnet_free(a.conv);
  free_problem(&a.q);
}

static void null_distances_and_mixing(void) {
  null_things a = null_make();
  double *o = a.out, *m = a.more, big[64 * 64];
  size_t used, n = NULL_N, d = NULL_D, i;
  invman_mixing mixing;
  invman_sinkhorn_info info;
  for (i = 0; i < 64 * 64; i++) big[i] = fabs((double)(i / 64) - (double)(i % 64));
  REFUSES(1, invman_kernel_distances(NULL, PTR(0, a.K), n, o));
  REFUSES(1, invman_point_distances(NULL, PTR(0, a.x), n, d, o));
  REFUSES(1, invman_median_distance(NULL, PTR(0, a.D), n, o));
  REFUSES(1, invman_two_nn(NULL, PTR(0, a.D), n, 0, o));
  REFUSES(1, invman_local_dimension(NULL, PTR(0, a.D), n, 5, 0, o, m, NULL));
  REFUSES(1, invman_mst_length(NULL, PTR(0, a.D), n, o));
  REFUSES(1, invman_mst_dimension(NULL, PTR(0, big), 64, o));
  REFUSES(1, invman_diffusion_entropy(NULL, PTR(0, a.D), n, 0, 0, o));
  REFUSES(3, invman_diffusion_information(NULL, PTR(0, a.D), PTR(1, a.y), n, 0, 0, 2, PTR(2, &a.rng), o));
  REFUSES(2, invman_hessian_spectrum(NULL, PTR(0, &a.net), PTR(1, &a.q.train), NULL, o, m));
  REFUSES(3, invman_linear_regions(NULL, PTR(0, &a.net), PTR(1, a.x), PTR(2, a.x + d), o, &used));
  REFUSES(2, invman_activation_patterns(NULL, PTR(0, &a.net), PTR(1, a.x), n, &used));
  REFUSES(2, invman_sinkhorn(NULL, PTR(0, a.K), n, 1, 0, 0, PTR(1, o), &info));
  REFUSES(1, invman_centred_singular_values(NULL, PTR(0, a.M), n, o));
  REFUSES(1, invman_mixing_measures(NULL, PTR(0, a.M), n, &mixing));
  REFUSES(1, invman_mix_with_identity(NULL, PTR(0, a.M), n, 0.5));
  for (null_at = 0; null_at < 1; null_at++) CHECK(invman_chain_depth(PTR(0, a.lambda), 5, 0.1) == 6);
  DOES_NOTHING(1, invman_layer_norm(PTR(0, o), n, 0));
  invman_convnet_free(a.conv);
  free_problem(&a.q);
}

static void null_convnets(void) {
  null_things a = null_make();
  invman_convnet_options c;
  invman_convnet_layer layer;
  invman_convnet *net = NULL;
  const char *path = in_test_dir("null.conv");
  double *x = normals(2 * 64, 1);
  invman_model model;
  memset(&c, 0, sizeof c);
  c.channels = 1, c.height = c.width = 8;
  for (null_at = 0; null_at < 3; null_at++)
    CHECK(invman_convnet_create(NULL, PTR(0, &c), PTR(1, &a.rng), PTR(2, &net)) == INVMAN_E_ARG);
  for (null_at = 0; null_at < 2; null_at++) CHECK(invman_convnet_copy(PTR(0, a.conv), PTR(1, &net)) == INVMAN_E_ARG);
  invman_convnet_free(NULL);
  CHECK(invman_convnet_weights(NULL) == NULL);
  IS_ZERO(1, invman_convnet_size(PTR(0, a.conv)));
  IS_ZERO(1, invman_convnet_layers(PTR(0, a.conv)));
  REFUSES(2, invman_convnet_get_layer(PTR(0, a.conv), 0, PTR(1, &layer)));
  REFUSES(3, invman_convnet_eval(PTR(0, a.conv), PTR(1, x), 2, PTR(2, a.out)));
  REFUSES(4, invman_convnet_gradient(PTR(0, a.conv), PTR(1, x), 2, PTR(2, a.r), PTR(3, a.out)));
  REFUSES(3, invman_convnet_jacobian(PTR(0, a.conv), PTR(1, x), 2, PTR(2, a.out)));
  REFUSES(3, invman_convnet_ntk_gram(PTR(0, a.conv), 0, PTR(1, x), 2, NULL, 0, PTR(2, a.out)));
  REFUSES(2, invman_convnet_save(PTR(0, a.conv), PTR(1, path)));
  for (null_at = 0; null_at < 2; null_at++)
    CHECK(invman_convnet_load(NULL, PTR(0, path), PTR(1, &net)) == INVMAN_E_ARG);
  model = invman_convnet_model(NULL);
  CHECK(invman_model_check(NULL, &model, x, 2, 64) == INVMAN_E_ARG);
  free(x);
  invman_convnet_free(a.conv);
  free_problem(&a.q);
}

static void bad_input_tests(void) {
  RUN(bad_models);
  RUN(bad_networks);
  RUN(bad_flows);
  RUN(bad_names);
  RUN(null_basics);
  RUN(null_flows);
  RUN(null_measures);
  RUN(null_spectra);
  RUN(null_distances_and_mixing);
  RUN(null_convnets);
}
