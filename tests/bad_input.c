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
  for (k = 0; k < 24; k++) {
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

static void bad_input_tests(void) {
  RUN(bad_models);
  RUN(bad_networks);
  RUN(bad_flows);
  RUN(bad_names);
}
