/* Sizes whose products overflow: refused, and nothing huge is asked for on the way.

   Every public function that takes a size is called here (tests/compile.sh checks that), but for those that have no
   status and nothing to compute a size of. What their size counts is the caller's, or it is a number in a formula:
   invman_amplification, invman_neuron_vectors, invman_data_shuffle, invman_data_free, invman_net_free,
   invman_duplicates, invman_beta_lazy, invman_beta_feature, invman_stripe_averages, invman_stripe_integrals,
   invman_stripe_label, invman_stripe_noise, invman_unexplained_area, invman_metric_amplification, invman_region_bound,
   invman_chain_depth, invman_layer_norm, invman_snr, invman_cosine_bound, invman_mode_noise; d of
   invman_stripe_neuron_ode and invman_stripe_fixed_points. Draws and
   steps are repetitions, not sizes. What readers (invman_data_read_csv, invman_data_read_idx, invman_net_load) find in a
   file is for tests/fuzz. */

enum { OVER_HALF = sizeof(size_t) * 4, OVER_LIMIT = 1 << 24 };

static const size_t over_one[] = {SIZE_MAX,         SIZE_MAX - 1,     SIZE_MAX / 2,
                                  SIZE_MAX / 2 + 1, SIZE_MAX / 8 + 1, SIZE_MAX / 8 + 2};
/* Pairs: one huge, or a product that wraps to something small, in elements or in bytes. */
static const size_t over_two[][2] = {{SIZE_MAX, 1},
                                     {1, SIZE_MAX},
                                     {SIZE_MAX, 2},
                                     {2, SIZE_MAX},
                                     {SIZE_MAX / 2, 3},
                                     {3, SIZE_MAX / 2},
                                     {SIZE_MAX / 2 + 1, 2},
                                     {2, SIZE_MAX / 2 + 1},
                                     {SIZE_MAX / 8 + 1, 1},
                                     {1, SIZE_MAX / 8 + 1},
                                     {SIZE_MAX / 16 + 1, 2},
                                     {2, SIZE_MAX / 16 + 1},
                                     {SIZE_MAX / 3 + 1, 3},
                                     {3, SIZE_MAX / 3 + 1},
                                     {(size_t)1 << OVER_HALF, (size_t)1 << OVER_HALF},
                                     {((size_t)1 << OVER_HALF) + 1, (size_t)1 << OVER_HALF},
                                     {(size_t)1 << (OVER_HALF - 1), (size_t)1 << (OVER_HALF - 1)},
                                     {SIZE_MAX, SIZE_MAX}};
/* (n,n) */
static const size_t over_square[] = {SIZE_MAX,
                                     SIZE_MAX / 2,
                                     SIZE_MAX / 8 + 1,
                                     (size_t)1 << OVER_HALF,
                                     ((size_t)1 << OVER_HALF) + 1,
                                     (size_t)1 << (OVER_HALF - 1),
                                     (size_t)3 << (OVER_HALF - 2)};

#define OVER_EACH(table, k) for (k = 0; k < sizeof table / sizeof table[0]; k++)

static size_t over_most; /* the largest request */
static double over_x[64], over_y[64] = {1, -1, 1, -1}, over_out[64];

static void *over_alloc(size_t bytes, void *user) {
  (void)user;
  if (bytes > over_most) over_most = bytes;
  return bytes > OVER_LIMIT ? NULL : malloc(bytes);
}
static void over_release(void *block, size_t bytes, void *user) {
  (void)bytes;
  (void)user;
  free(block);
}
static invman_context over_context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.alloc = over_alloc;
  ctx.release = over_release;
  over_most = 0;
  return ctx;
}

/* Refused: for its size, or for a better reason (but not for want of memory). */
static void over_refused(int line, const char *what, invman_status status, size_t a, size_t b) {
  if (status >= 0 || status == INVMAN_E_NOMEM || over_most > OVER_LIMIT)
    test_fail(__FILE__, line, "%s, %lu, %lu: %s; asked for %lu bytes", what, (unsigned long)a, (unsigned long)b,
              invman_status_string(status), (unsigned long)over_most);
  over_most = 0;
}
#define REFUSED(call, a, b) over_refused(__LINE__, #call, call, a, b)
#define TOO_LARGE(call, a, b)                                                          \
  do {                                                                                 \
    invman_status over_status_ = call;                                                 \
    if (over_status_ != INVMAN_E_SIZE) over_refused(__LINE__, #call, INVMAN_OK, a, b); \
    else over_refused(__LINE__, #call, over_status_, a, b);                            \
  } while (0)

static void over_data(void) {
  static const double rising[] = {-1, 0, 1, 2};
  invman_context ctx = over_context();
  invman_data_model m;
  invman_data data;
  invman_rng rng;
  size_t k, kind;
  invman_rng_seed(&rng, 1, 1);
  for (kind = 0; kind < 2; kind++) OVER_EACH(over_two, k) {
      m = a_model(kind ? INVMAN_CYLINDER : INVMAN_STRIPE, over_two[k][1]);
      TOO_LARGE(invman_data_sample(&ctx, &m, over_two[k][0], &rng, &data), over_two[k][0], over_two[k][1]);
    }
  CLOSE(invman_equiprobable_radius(100000), sqrt(2 * (50000 - 1.0 / 3 + 8 / (405 * 50000.0))), 1e-8); /* either way */
  OVER_EACH(over_one, k) {
    m = a_model(INVMAN_CYLINDER, 3);
    m.d_par = over_one[k];
    REFUSED(invman_data_sample(&ctx, &m, 4, &rng, &data), m.d_par, 0);
    m = a_model(INVMAN_STRIPE, 3);
    m.interfaces = rising;
    m.interface_count = over_one[k];
    TOO_LARGE(invman_data_sample(&ctx, &m, 4, &rng, &data), m.interface_count, 0);
    CLOSE(invman_equiprobable_radius(over_one[k]), sqrt((double)over_one[k]), 1e-9 * sqrt((double)over_one[k]));
  }
}

static invman_net over_net(size_t h, size_t d) { /* says that it is so large */
  invman_net net;
  net.h = h;
  net.d = d;
  net.w = net.b = net.beta = over_out;
  return net;
}

static void over_networks(void) {
  invman_context ctx = over_context();
  invman_rng rng;
  size_t k, part;
  invman_rng_seed(&rng, 1, 1);
  OVER_EACH(over_two, k) {
    size_t a = over_two[k][0], b = over_two[k][1];
    invman_net net = over_net(a, b), out, grad;
    memset(&grad, 0, sizeof grad);
    TOO_LARGE(invman_net_init(&ctx, a, b, &rng, &out), a, b);
    TOO_LARGE(invman_net_copy(&ctx, &net, &out), a, b);
    TOO_LARGE(invman_net_eval(&ctx, &net, over_x, 1, over_out), a, b);
    TOO_LARGE(invman_net_gradient(&ctx, &net, over_x, 1, over_y, &grad), a, b);
    TOO_LARGE(invman_net_save(&ctx, &net, in_test_dir("overflow.net")), a, b);
    CHECK(!file_exists(in_test_dir("overflow.net")));
    for (part = 0; part < 3; part++)
      TOO_LARGE(invman_ntk_gram(&ctx, &net, (int)part, over_x, 1, NULL, 0, over_out), a, b);
    net = over_net(1, b);
    if (b > 3) continue;
    TOO_LARGE(invman_net_eval(&ctx, &net, over_x, a, over_out), a, b);
    TOO_LARGE(invman_net_gradient(&ctx, &net, over_x, a, over_y, &grad), a, b);
  }
}

static void over_grams(void) { /* n, m and d, and n*m */
  invman_context ctx = over_context();
  size_t k, part;
  invman_net net = over_net(2, 1);
  for (part = 0; part < 3; part++) {
    OVER_EACH(over_two, k) {
      size_t a = over_two[k][0], b = over_two[k][1];
      TOO_LARGE(invman_ntk_gram(&ctx, &net, (int)part, over_x, a, over_x, b, over_out), a, b);
      TOO_LARGE(invman_ntk_gram_infinite(&ctx, 1, (int)part, over_x, a, over_x, b, over_out), a, b);
      TOO_LARGE(invman_ntk_gram_infinite(&ctx, a, (int)part, over_x, b, over_x, 1, over_out), a, b);
      TOO_LARGE(invman_ntk_gram_infinite(&ctx, a, (int)part, over_x, 1, over_x, b, over_out), a, b);
      TOO_LARGE(invman_ntk_gram_infinite(&ctx, a, (int)part, over_x, b, NULL, 0, over_out), a, b);
    }
    OVER_EACH(over_square, k) {
      TOO_LARGE(invman_ntk_gram(&ctx, &net, (int)part, over_x, over_square[k], NULL, 0, over_out), over_square[k], 0);
      TOO_LARGE(invman_ntk_gram_infinite(&ctx, 1, (int)part, over_x, over_square[k], NULL, 0, over_out), over_square[k],
                0);
      TOO_LARGE(invman_ntk_gram_deep(&ctx, 1, 2, (int)part, over_x, over_square[k], NULL, 0, over_out), over_square[k],
                0);
    }
  }
}

static invman_status over_evaluate(const double *x, size_t n, double *f, void *user) {
  (void)x, (void)user;
  memset(f, 0, n * sizeof *f);
  return INVMAN_OK;
}
static invman_status over_gradient(const double *x, size_t n, const double *r, double *G, void *user) {
  (void)x, (void)n, (void)r, (void)user;
  memset(G, 0, 3 * sizeof *G);
  return INVMAN_OK;
}
static invman_status over_gram(const double *x, size_t n, double *K, void *user) {
  (void)x, (void)user;
  memset(K, 0, n * n * sizeof *K);
  return INVMAN_OK;
}

static invman_data over_points(size_t n, size_t d) {
  invman_data data;
  data.n = n;
  data.d = d;
  data.x = over_x;
  data.y = over_y;
  return data;
}

static void over_flow(const invman_context *ctx, const invman_net *net, const invman_data *train,
                      const invman_flow_options *o, size_t a, size_t b) {
  const char *path = in_test_dir("overflow.flow");
  invman_net own = *net, none;
  invman_flow *flow;
  memset(&none, 0, sizeof none);
  REFUSED(invman_flow_create(ctx, &own, train, o, &flow), a, b);
  REFUSED(invman_train(ctx, &own, train, o, NULL), a, b);
  REFUSED(invman_flow_resume(ctx, path, &own, train, o, &flow), a, b);
  if (net->h == 2 && net->w != over_out) REFUSED(invman_flow_resume(ctx, path, &none, train, o, &flow), a, b);
}

static void over_model(const invman_context *ctx, const invman_model *model, const invman_data *train,
                       const invman_flow_options *o, size_t a, size_t b) {
  invman_flow *flow;
  REFUSED(invman_flow_create_model(ctx, model, train, o, &flow), a, b);
  REFUSED(invman_train_model(ctx, model, train, o, NULL), a, b);
  REFUSED(invman_flow_resume_model(ctx, in_test_dir("overflow.mflo"), model, train, o, &flow), a, b);
}

static void over_flows(void) {
  invman_context ctx = over_context();
  invman_net net = random_net(2, 2, 1);
  invman_data train = over_points(4, 2), other;
  invman_flow_options o = no_options();
  invman_flow *flow;
  invman_model model;
  size_t k;
  memset(&model, 0, sizeof model);
  model.size = 3;
  model.weights = over_out;
  model.evaluate = over_evaluate;
  model.gradient = over_gradient;
  model.gram = over_gram;
  for (k = 0; k < 8; k++) over_x[k] = (double)k - 3;
  CHECK(invman_flow_create(&ctx, &net, &train, &o, &flow) == INVMAN_OK);
  CHECK(invman_flow_save(flow, in_test_dir("overflow.flow")) == INVMAN_OK);
  OVER_EACH(over_one, k) TOO_LARGE(invman_flow_predict(flow, over_x, over_one[k], over_out), over_one[k], 0);
  TOO_LARGE(invman_flow_predict(flow, over_x, SIZE_MAX / 16 + 1, over_out), 0, 0);
  invman_flow_free(flow);
  OVER_EACH(over_one, k) TOO_LARGE(invman_model_check(&ctx, &model, over_x, over_one[k], 2), over_one[k], 2);
  CHECK(invman_flow_create_model(&ctx, &model, &train, &o, &flow) == INVMAN_OK);
  CHECK(invman_flow_save(flow, in_test_dir("overflow.mflo")) == INVMAN_OK);
  OVER_EACH(over_one, k) TOO_LARGE(invman_flow_predict(flow, over_x, over_one[k], over_out), over_one[k], 0);
  invman_flow_free(flow);
  OVER_EACH(over_two, k) {
    size_t a = over_two[k][0], b = over_two[k][1];
    invman_net large = over_net(a, b);
    over_flow(&ctx, &large, &train, &o, a, b);
    other = over_points(a, b);
    over_flow(&ctx, &net, &other, &o, a, b);
    over_model(&ctx, &model, &other, &o, a, b);
    o.test = &other;
    over_flow(&ctx, &net, &train, &o, a, b);
    over_model(&ctx, &model, &train, &o, a, b);
    o.test = NULL;
  }
  OVER_EACH(over_one, k) {
    model.size = over_one[k];
    over_model(&ctx, &model, &train, &o, model.size, 0);
    model.size = 3;
    o.d_par = over_one[k];
    over_flow(&ctx, &net, &train, &o, o.d_par, 0);
    o.d_par = 0;
  }
  for (k = 0; k < 8; k++) over_x[k] = 0;
  invman_net_free(NULL, &net);
}

static void over_learned(void) {
  invman_context ctx = over_context();
  invman_rfm_options o;
  double M[16] = {1, 0, 0, 1}, a[16];
  size_t k;
  memset(&o, 0, sizeof o);
  OVER_EACH(over_two, k) {
    invman_data train = over_points(over_two[k][0], over_two[k][1]), few = over_points(4, 1);
    TOO_LARGE(invman_rfm_train(&ctx, &train, NULL, M, a, NULL), train.n, train.d);
    TOO_LARGE(invman_rfm_predict(&ctx, &train, NULL, M, a, over_x, 1, over_out), train.n, train.d);
    TOO_LARGE(invman_kernel_agop(&ctx, &train, NULL, M, a, over_out), train.n, train.d);
    o.test = &train;
    REFUSED(invman_rfm_train(&ctx, &few, &o, M, a, NULL), train.n, train.d);
  }
  OVER_EACH(over_square, k) {
    invman_data train = over_points(1, over_square[k]);
    TOO_LARGE(invman_rfm_train(&ctx, &train, NULL, M, a, NULL), train.n, train.d);
    TOO_LARGE(invman_rfm_predict(&ctx, &train, NULL, M, a, over_x, 1, over_out), train.n, train.d);
    TOO_LARGE(invman_kernel_agop(&ctx, &train, NULL, M, a, over_out), train.n, train.d);
  }
  memset(a, 0, sizeof a);
  OVER_EACH(over_one, k) {
    invman_data few = over_points(4, 2);
    TOO_LARGE(invman_rfm_predict(&ctx, &few, NULL, M, a, over_x, over_one[k], over_out), over_one[k], 0);
  }
}

static void over_column(size_t j, double *column, void *arg) {
  (void)j, (void)column, (void)arg;
  test_fail(__FILE__, __LINE__, "a column is asked for");
}
static void over_apply(const double *x, double *y, size_t n, void *arg) {
  (void)x, (void)y, (void)n, (void)arg;
  test_fail(__FILE__, __LINE__, "a product is asked for");
}

static void over_matrices(void) {
  invman_context ctx = over_context();
  size_t k;
  OVER_EACH(over_square, k) {
    size_t n = over_square[k];
    TOO_LARGE(invman_eigh(&ctx, n, over_x, over_out), n, 0);
    TOO_LARGE(invman_eigvalsh(&ctx, n, over_x, over_out), n, 0);
    TOO_LARGE(invman_kernel_pca(&ctx, over_x, over_y, n, 1, over_out, over_out, over_out), n, 0);
    TOO_LARGE(invman_kernel_pca(&ctx, over_x, over_y, n, n, over_out, over_out, over_out), n, n);
    REFUSED(invman_kernel_pca(&ctx, over_x, over_y, 4, n, over_out, over_out, over_out), 4, n);
    TOO_LARGE(invman_intrinsic_dimension(&ctx, over_x, n, over_out, over_out), n, 0);
    TOO_LARGE(invman_lazy_train(&ctx, over_x, over_y, n, NULL, over_out, NULL), n, 0);
    TOO_LARGE(invman_lazy_regression(&ctx, over_x, over_y, n, over_x, 1, over_out), n, 0);
    TOO_LARGE(invman_box_qp(&ctx, over_x, over_y, NULL, NULL, n, over_out, NULL), n, 0);
    TOO_LARGE(invman_eigh_top(&ctx, n, n, over_apply, NULL, 0, over_out, over_out), n, n);
    TOO_LARGE(invman_eigh_top(&ctx, SIZE_MAX, n, over_apply, NULL, 0, over_out, over_out), SIZE_MAX, n);
    REFUSED(invman_eigh_top(&ctx, 4, n, over_apply, NULL, 0, over_out, over_out), 4, n);
  }
  OVER_EACH(over_one, k) {
    TOO_LARGE(invman_lazy_regression(&ctx, over_x, over_y, 1, over_x, over_one[k], over_out), 1, over_one[k]);
    TOO_LARGE(invman_eigh_top(&ctx, over_one[k], 1, over_apply, NULL, 0, over_out, over_out), over_one[k], 1);
    TOO_LARGE(invman_lazy_train_columns(&ctx, over_column, NULL, over_y, over_one[k], NULL, over_out, NULL),
              over_one[k], 0);
  }
}

static void over_measures(void) {
  invman_context ctx = over_context();
  invman_mi_options o;
  invman_rng rng;
  size_t k;
  invman_rng_seed(&rng, 1, 1);
  memset(&o, 0, sizeof o);
  OVER_EACH(over_two, k) {
    size_t a = over_two[k][0], b = over_two[k][1];
    TOO_LARGE(invman_mutual_information(&ctx, over_x, b, over_y, a, NULL, over_out), a, b);
    TOO_LARGE(invman_mutual_information_null(&ctx, over_x, b, over_y, a, NULL, 2, &rng, over_out, over_out), a, b);
    if (a > 1) TOO_LARGE(invman_median_power_law(&ctx, over_x, over_y, a, b, 5, &rng, over_out, over_out), a, b);
  }
  OVER_EACH(over_one, k) {
    o.k = over_one[k];
    REFUSED(invman_mutual_information(&ctx, over_x, 1, over_y, 4, &o, over_out), o.k, 0);
    REFUSED(invman_mutual_information_null(&ctx, over_x, 1, over_y, 4, &o, 2, &rng, over_out, over_out), o.k, 0);
    TOO_LARGE(invman_fit_power_law(&ctx, over_x, over_y, over_one[k], over_out, over_out), over_one[k], 0);
    TOO_LARGE(invman_median_power_law(&ctx, over_x, over_y, 2, 2, over_one[k], &rng, over_out, over_out), over_one[k],
              0);
  }
}

static void over_squares(void) { /* diagnostics of matrices */
  invman_context ctx = over_context();
  invman_collapse collapse;
  invman_mixing mixing;
  invman_rng rng;
  size_t k;
  invman_rng_seed(&rng, 1, 1);
  OVER_EACH(over_square, k) {
    size_t n = over_square[k];
    invman_data data = over_points(1, n);
    invman_net net = over_net(1, n);
    TOO_LARGE(invman_von_neumann_entropy(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_ridge_leverage(&ctx, over_x, over_x, n, 1, over_out, over_out), n, n);
    TOO_LARGE(invman_target_alignment(&ctx, over_x, over_y, n, over_out), n, n);
    TOO_LARGE(invman_cumulative_power(&ctx, over_x, over_y, n, over_out), n, n);
    TOO_LARGE(invman_rkhs_norm(&ctx, over_x, over_x, over_y, n, 0, over_out, NULL), n, n);
    TOO_LARGE(invman_spectral_predictor(&ctx, over_x, over_x, over_y, n, 1, 0, over_x, 1, over_out), n, n);
    TOO_LARGE(invman_nystrom_extension(&ctx, over_x, over_x, n, 1, over_x, 1, over_out), n, n);
    TOO_LARGE(invman_centred_alignment(&ctx, over_x, over_x, n, 0, over_out), n, n);
    TOO_LARGE(invman_weight_covariance(&ctx, &net, 0, over_out), n, n);
    TOO_LARGE(invman_active_subspace(&ctx, over_x, 1, n, 0, over_out, over_out, over_out, over_out), n, n);
    TOO_LARGE(invman_stein_moments(&ctx, &data, over_out, over_out), n, n);
    TOO_LARGE(invman_stein_directions(&ctx, &data, 2, &rng, over_out, over_out, NULL, NULL), n, n);
    TOO_LARGE(invman_pullback_metric(&ctx, &net, over_x, 1, 1, over_out, over_out, over_out), n, n);
    TOO_LARGE(invman_neural_collapse(&ctx, over_x, over_y, n, &collapse), n, n);
    TOO_LARGE(invman_kernel_distances(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_point_distances(&ctx, over_x, n, 1, over_out), n, n);
    TOO_LARGE(invman_median_distance(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_two_nn(&ctx, over_x, n, 0, over_out), n, n);
    TOO_LARGE(invman_local_dimension(&ctx, over_x, n, 2, 0, over_out, over_out, over_out), n, n);
    TOO_LARGE(invman_mst_length(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_mst_dimension(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_diffusion_entropy(&ctx, over_x, n, 0, 0, over_out), n, n);
    TOO_LARGE(invman_diffusion_information(&ctx, over_x, over_y, n, 0, 0, 0, &rng, over_out), n, n);
    TOO_LARGE(invman_sinkhorn(&ctx, over_x, n, 1, 0, 0, over_out, NULL), n, n);
    TOO_LARGE(invman_centred_singular_values(&ctx, over_x, n, over_out), n, n);
    TOO_LARGE(invman_mixing_measures(&ctx, over_x, n, &mixing), n, n);
    TOO_LARGE(invman_mix_with_identity(&ctx, over_out, n, 0.5), n, n);
  }
}

static void over_rectangles(void) { /* and of points, networks and subspaces */
  invman_context ctx = over_context();
  invman_spectrum spectrum;
  invman_angles angles;
  invman_rng rng;
  invman_net small = over_net(2, 1);
  size_t k, count;
  invman_rng_seed(&rng, 1, 1);
  OVER_EACH(over_two, k) {
    size_t a = over_two[k][0], b = over_two[k][1];
    invman_net net = over_net(a, b), out;
    invman_data data = over_points(a, b);
    TOO_LARGE(invman_principal_angles(&ctx, over_x, a, over_x, 1, b, over_out, &angles), a, b);
    TOO_LARGE(invman_subspace_norms(&ctx, over_x, a, b, over_x, 1, over_out, over_out), a, b);
    TOO_LARGE(invman_weight_covariance(&ctx, &net, 1, over_out), a, b);
    TOO_LARGE(invman_input_gradient(&ctx, &net, over_x, 1, over_out), a, b);
    TOO_LARGE(invman_active_subspace(&ctx, over_x, a, b, 0, NULL, over_out, NULL, NULL), a, b);
    TOO_LARGE(invman_stein_moments(&ctx, &data, over_out, over_out), a, b);
    TOO_LARGE(invman_stein_directions(&ctx, &data, 0, NULL, over_out, over_out, NULL, NULL), a, b);
    TOO_LARGE(invman_pullback_metric(&ctx, &net, over_x, 1, 0, over_out, NULL, NULL), a, b);
    TOO_LARGE(invman_hessian_spectrum(&ctx, &net, &data, NULL, over_out, NULL), a, b);
    TOO_LARGE(invman_linear_regions(&ctx, &net, over_x, over_x, over_out, &count), a, b);
    TOO_LARGE(invman_activation_patterns(&ctx, &net, over_x, 1, &count), a, b);
    REFUSED(invman_net_init_orthogonal(&ctx, a, b, &rng, &out), a, b);
    REFUSED(invman_point_distances(&ctx, over_x, a, b, over_out), a, b);
  }
  OVER_EACH(over_one, k) {
    size_t n = over_one[k];
    invman_data data = over_points(n, 1);
    TOO_LARGE(invman_spectral_measures(&ctx, over_x, n, 0, 0, &spectrum), n, 1);
    TOO_LARGE(invman_ridge_leverage(&ctx, over_x, NULL, n, 1, NULL, over_out), n, 1);
    TOO_LARGE(invman_spectral_predictor(&ctx, over_x, over_x, over_y, 2, 1, 0, over_x, n, over_out), n, 2);
    REFUSED(invman_spectral_predictor(&ctx, over_x, over_x, over_y, 2, n, 0, over_x, 1, over_out), n, 2);
    TOO_LARGE(invman_nystrom_extension(&ctx, over_x, over_x, 2, 1, over_x, n, over_out), n, 2);
    REFUSED(invman_nystrom_extension(&ctx, over_x, over_x, 2, n, over_x, 1, over_out), n, 2);
    REFUSED(invman_centred_alignment(&ctx, over_x, over_x, 2, n, over_out), n, 2);
    TOO_LARGE(invman_principal_angles(&ctx, over_x, 1, over_x, n, 1, over_out, &angles), n, 1);
    TOO_LARGE(invman_subspace_norms(&ctx, over_x, 1, 1, over_x, n, over_out, over_out), n, 1);
    TOO_LARGE(invman_input_gradient(&ctx, &small, over_x, n, over_out), n, 1);
    REFUSED(invman_active_subspace(&ctx, over_x, 2, 2, n, NULL, over_out, NULL, NULL), n, 2);
    TOO_LARGE(invman_pullback_metric(&ctx, &small, over_x, n, 0, over_out, NULL, NULL), n, 1);
    REFUSED(invman_pullback_metric(&ctx, &small, over_x, 1, n, over_out, NULL, NULL), n, 1);
    TOO_LARGE(invman_hessian_spectrum(&ctx, &small, &data, NULL, over_out, NULL), n, 1);
    TOO_LARGE(invman_activation_patterns(&ctx, &small, over_x, n, &count), n, 1);
    REFUSED(invman_local_dimension(&ctx, over_x, 4, n, 0, over_out, over_out, over_out), n, 4);
    CHECK(invman_region_bound(n, n) == HUGE_VAL && invman_region_bound(n, 0) == 1);
    CHECK(invman_mode_noise(1, n) == (double)n);
  }
}

static void over_theory(void) {
  invman_context ctx = over_context();
  invman_fixed_point point;
  size_t k, found;
  OVER_EACH(over_one, k) {
    size_t n = over_one[k];
    TOO_LARGE(invman_stripe_fixed_points(over_x, n, 2, &point, 1, &found), n, 0);
    TOO_LARGE(invman_stripe_neuron_ode(&ctx, over_x, n, 2, over_x, over_x, 1, over_out), n, 0);
    TOO_LARGE(invman_stripe_neuron_ode(&ctx, NULL, 0, 2, over_x, over_x, n, over_out), n, 0);
    TOO_LARGE(invman_stripe_noisy_ode(&ctx, over_x, n, 2, over_x, over_x, over_x, 1, over_out), n, 0);
    TOO_LARGE(invman_stripe_noisy_ode(&ctx, NULL, 0, 2, over_x, over_x, over_x, n, over_out), n, 0);
  }
  OVER_EACH(over_two, k) {
    size_t d = over_two[k][0], times = over_two[k][1];
    TOO_LARGE(invman_stripe_noisy_ode(&ctx, NULL, 0, d, over_x, over_x, over_x, times, over_out), d, times);
  }
}

static void over_images(void) {
  invman_context ctx = over_context();
  invman_convnet_options o;
  invman_convnet *net;
  invman_convnet_layer layer;
  invman_rng rng;
  size_t k, j;
  invman_rng_seed(&rng, 1, 1);
  memset(&o, 0, sizeof o);
  OVER_EACH(over_two, k) {
    size_t a = over_two[k][0], b = over_two[k][1];
    for (j = 0; j < 3; j++) {
      o.channels = j == 0 ? 1 : a;
      o.height = j == 1 ? 1 : j == 0 ? a : b;
      o.width = j == 2 ? 1 : b;
      TOO_LARGE(invman_convnet_create(&ctx, &o, &rng, &net), a, b);
    }
    o.channels = o.height = o.width = 1;
    o.blocks = a;
    o.layers = b;
    TOO_LARGE(invman_convnet_create(&ctx, &o, &rng, &net), a, b);
    o.blocks = o.layers = 0;
  }
  o.width_factor = 1e300;
  TOO_LARGE(invman_convnet_create(&ctx, &o, &rng, &net), 0, 0);
  o.width_factor = 0.1;
  OVER_EACH(over_one, k) {
    size_t n = over_one[k];
    o.memory = n; /* no more than is of use */
    CHECK(invman_convnet_create(&ctx, &o, &rng, &net) == INVMAN_OK);
    CHECK(invman_convnet_eval(net, over_x, 1, over_out) == INVMAN_OK && over_most < OVER_LIMIT);
    REFUSED(invman_convnet_get_layer(net, n, &layer), n, 0);
    TOO_LARGE(invman_convnet_eval(net, over_x, n, over_out), n, 0);
    TOO_LARGE(invman_convnet_gradient(net, over_x, n, over_y, over_out), n, 0);
    TOO_LARGE(invman_convnet_jacobian(net, over_x, n, over_out), n, 0);
    TOO_LARGE(invman_convnet_ntk_gram(net, 0, over_x, n, NULL, 0, over_out), n, 0);
    TOO_LARGE(invman_convnet_ntk_gram(net, 0, over_x, n, over_x, 1, over_out), n, 0);
    TOO_LARGE(invman_convnet_ntk_gram(net, 0, over_x, 1, over_x, n, over_out), n, 0);
    invman_convnet_free(net);
  }
}

/* Numbers whose squares or quotients leave the range of doubles. */
static void over_range(void) {
  double w[6] = {3, 4, 0, 6, 8, 0}, near_[9] = {2e-308, 1e-308, 0, 1e-308, 1e-308, 0, 0, 0, 8}, dimension, error;
  invman_net net = over_net(2, 3);
  size_t k;
  double lambda;
  net.w = w;
  lambda = invman_amplification(&net, 1);
  for (k = 0; k < 6; k++) w[k] *= ldexp(1, 1000);
  CHECK(invman_amplification(&net, 1) == lambda);
  for (k = 0; k < 6; k++) w[k] = ldexp(w[k], -2000);
  CHECK(invman_amplification(&net, 1) == lambda);
  memset(w, 0, sizeof w);
  CHECK(invman_amplification(&net, 1) == 0);
  if (floats_flush) return;
  CHECK(invman_intrinsic_dimension(NULL, near_, 3, &dimension, &error) == INVMAN_OK && dimension > 0 && error > 0);
}

static void overflow_tests(void) {
  RUN(over_range);
  RUN(over_data);
  RUN(over_networks);
  RUN(over_grams);
  RUN(over_learned);
  RUN(over_flows);
  RUN(over_matrices);
  RUN(over_measures);
  RUN(over_squares);
  RUN(over_rectangles);
  RUN(over_theory);
  RUN(over_images);
}
