/* The flow: golden values, first steps by hand, invariances, ends, files, memory, threads. */

static invman_flow *open_flow(const invman_context *ctx, test_problem *q, const invman_flow_options *o) {
  invman_flow *flow = NULL;
  if (invman_flow_create(ctx, &q->net, &q->train, o, &flow) < 0) {
    printf("FAIL a flow could not be made\n");
    exit(1);
  }
  return flow;
}

static invman_flow_options no_options(void) {
  invman_flow_options o;
  memset(&o, 0, sizeof o);
  return o;
}

/* Largest and root mean square margin error over the golden times. */
static double golden_error_in(int single, double rotation_tol, double tol, double *mean, double *t_star) {
  const char *path = GOLDEN "flow_small.txt";
  double *t = golden(path, "t", 7), *margin = golden(path, "margin", 168), worst = 0, square = 0;
  size_t k, i;
  for (k = 0; k < 7; k++) {
    invman_net net;
    invman_data train;
    invman_flow_options o = no_options();
    invman_flow *flow;
    net.h = 40, net.d = train.d = 3, train.n = 24;
    net.w = golden(path, "w0", 120), net.b = golden(path, "b0", 40), net.beta = golden(path, "beta0", 40);
    train.x = golden(path, "x", 72), train.y = golden(path, "y", 24);
    o.alpha = 0.01;
    o.single = single;
    o.rotation_tol = rotation_tol;
    o.margin_tol = tol;
    o.t_max = t[k];
    CHECK(invman_flow_create(NULL, &net, &train, &o, &flow) == INVMAN_OK);
    CHECK(invman_flow_run(flow) == INVMAN_STOPPED);
    CHECK(flow->info.end == INVMAN_END_T_MAX && flow->info.t == t[k]);
    CHECK(flow->info.in_single == single && (flow->info.single_error > 0) == single);
    invman_i_look_again(flow, HUGE_VAL);
    worst = fmax(worst, largest_difference(flow->margin, margin + 24 * k, 24));
    for (i = 0; i < 24; i++) square += (flow->margin[i] - margin[24 * k + i]) * (flow->margin[i] - margin[24 * k + i]);
    *t_star = flow->info.t_star;
    invman_flow_free(flow);
    free(net.w), free(net.b), free(net.beta), free(train.x), free(train.y);
  }
  free(t), free(margin);
  *mean = sqrt(square / 168);
  return worst;
}

static double golden_error(double rotation_tol, double tol, double *mean, double *t_star) {
  return golden_error_in(0, rotation_tol, tol, mean, t_star);
}

static void flow_golden(void) {
  double *wanted = golden(GOLDEN "flow_small.txt", "t_star", 1), t_star, mean, tol;
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  CHECK(golden_error(0.1, 0.1, &mean, &t_star) < 0.15);
  CLOSE(t_star / *wanted, 1, 0.03);
  CHECK(golden_error(0.01, 0.01, &mean, &t_star) < 0.03);
  CLOSE(t_star / *wanted, 1, 0.01);
  CHECK(golden_error_in(1, 0.01, 0.01, &mean, &t_star) < 0.03);
  CLOSE(t_star / *wanted, 1, 0.01);
  CHECK(golden_error(1, 0.01, &mean, &t_star) < 0.1);  /* the margins alone control the step */
  CHECK(golden_error(0.003, 1, &mean, &t_star) < 0.1); /* or the rotations */
  /* First order: the error is bounded by a constant times the tolerance, and its logarithm falls with slope 1. Events
     scatter it by a factor of two either way: over a factor 64 in the tolerance that leaves the slope within 0.25 of it. */
  for (tol = 0.032; tol > 0.00049; tol /= TEST_WHOLE ? sqrt(2.0) : 2, n++) {
    golden_error(tol, tol, &mean, &t_star);
    CHECK(mean < 0.4 * tol);
    x += log(tol);
    y += log(mean);
    xx += log(tol) * log(tol);
    xy += log(tol) * log(mean);
  }
  CLOSE((n * xy - x * y) / (n * xx - x * x), 1, 0.25);
  free(wanted);
}

static void flow_first_step_by_hand(void) {
  /* One neuron, one point, z > 0: G = sqrt(2) y x~ is constant, and Eq. (4) turns (v.G/|G|, beta) by |G| t. */
  double w[2] = {0.3, -0.2}, b = 0.4, beta = 0.7, x[2] = {1.1, 0.6}, y = -1, v[3], g[3], size, along = 0, t, u, f0, f1;
  invman_net net;
  invman_data data;
  invman_flow_options o = no_options();
  invman_flow *flow;
  size_t k;
  net.h = 1, net.d = 2, net.w = w, net.b = &b, net.beta = &beta;
  data.n = 1, data.d = 2, data.x = x, data.y = &y;
  for (k = 0; k < 2; k++) {
    v[k] = w[k];
    g[k] = sqrt(2.0) * y * x[k] / sqrt(2.0);
  }
  v[2] = b;
  g[2] = sqrt(2.0) * y;
  size = sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
  for (k = 0; k < 3; k++) along += v[k] * g[k] / size;
  f0 = plain_eval(&net, x);
  o.alpha = 2;
  CHECK(invman_flow_create(NULL, &net, &data, &o, &flow) == INVMAN_OK);
  CHECK(invman_flow_step(flow) == INVMAN_STOPPED);
  t = flow->info.t;
  CHECK(t > 0 && t * size <= 0.1001);
  u = along * cosh(size * t) + 0.7 * sinh(size * t) - along;
  for (k = 0; k < 2; k++) CLOSE(w[k], v[k] + u * g[k] / size, 1e-15);
  CLOSE(b, v[2] + u * g[2] / size, 1e-15);
  CLOSE(beta, 0.7 * cosh(size * t) + along * sinh(size * t), 1e-15);
  f1 = plain_eval(&net, x);
  CLOSE(flow->margin[0], -2 * (f1 - f0), 1e-15);
  CLOSE(flow->info.margin_min, flow->margin[0], 0);
  CLOSE(flow->info.loss, 1 - flow->margin[0], 1e-15);
  invman_flow_free(flow);
}

static void flow_clock_stops_at_rest(void) {
  /* One point and two neurons that see it: margin and time are known until the point arrives; then nothing moves, and
     the clock must not have run on to the end of the step. y F = alpha/2 sum_n (sqrt(2) beta_n z_n - ...), and with
     u = v.G/|G| the state (u, beta) turns by |G| t; z = v.x~ = u |x~| for y = 1. */
  double w[4] = {0.3, -0.2, 0.5, 0.9}, b[2] = {0.4, 0.1}, beta[2] = {0.7, -0.4}, x[2] = {1.1, 0.6}, y = 1;
  double norm = sqrt(x[0] * x[0] / 2 + x[1] * x[1] / 2 + 1), speed = sqrt(2.0) / 2 * norm, u[2], low = 0, high = 50;
  invman_net net;
  invman_data data;
  invman_flow_options o = no_options();
  invman_flow_info info;
  size_t n;
  net.h = 2, net.d = 2, net.w = w, net.b = b, net.beta = beta;
  data.n = 1, data.d = 2, data.x = x, data.y = &y;
  for (n = 0; n < 2; n++) u[n] = (w[2 * n] * x[0] / sqrt(2.0) + w[2 * n + 1] * x[1] / sqrt(2.0) + b[n]) / norm;
  o.alpha = 0.3;
  while (high - low > 1e-12) { /* when does the margin reach 1? */
    double t = 0.5 * (low + high), c = cosh(speed * t), s = sinh(speed * t), margin = 0;
    for (n = 0; n < 2; n++)
      margin += 0.3 * sqrt(2.0) / 2 * norm * ((c * beta[n] + s * u[n]) * (c * u[n] + s * beta[n]) - beta[n] * u[n]);
    if (margin < 1) low = t;
    else high = t;
  }
  CHECK(invman_train(NULL, &net, &data, &o, &info) == INVMAN_OK);
  CLOSE(info.margin_min, 1, 2e-3);
  CLOSE(info.t / low, 1, 2e-3);
  CLOSE(info.t_star, 0, 0); /* m > 1 is never reached: it rests at 1 */
}

static void flow_rates_are_slopes(void) { /* rate and gradient kernels: dm/dt along G is how fast margins really move */
  static const int bits[3] = {512, 256, 128};
  size_t k, i;
  for (k = 0; k < 3; k++) {
    test_problem q = make_problem(INVMAN_STRIPE, 5, 50, 130, 20);
    invman_flow_options o = no_options();
    invman_context ctx;
    invman_flow *flow;
    double ahead[50], behind[50], dt = 1e-5;
    memset(&ctx, 0, sizeof ctx);
    ctx.vector_bits = bits[k];
    o.alpha = 1;
    flow = open_flow(&ctx, &q, &o);
    invman_i_net_move(flow->self_, dt);
    invman_i_eval_margins(flow, ahead);
    invman_i_net_move(flow->self_, -dt);
    invman_i_eval_margins(flow, behind);
    for (i = 0; i < 50; i++) CLOSE(flow->batch.rate[i], (ahead[i] - behind[i]) / (2 * dt), 1e-8);
    CHECK(flow->typical > 1e-3);
    invman_flow_free(flow);
    free_problem(&q);
  }
}

static double invariant(const invman_net *net, size_t n) { /* beta^2 - |omega|^2 - b^2 */
  double sum = net->beta[n] * net->beta[n] - net->b[n] * net->b[n];
  size_t k;
  for (k = 0; k < net->d; k++) sum -= net->w[n * net->d + k] * net->w[n * net->d + k];
  return sum;
}

static void flow_conserves(void) {
  test_problem q = make_problem(INVMAN_STRIPE, 5, 200, 300, 1);
  double *before = (double *)malloc(300 * sizeof(double)), worst = 0;
  invman_flow_info info;
  size_t n;
  for (n = 0; n < 300; n++) before[n] = invariant(&q.net, n);
  CHECK(invman_train(NULL, &q.net, &q.train, NULL, &info) == INVMAN_OK);
  CHECK(info.end == INVMAN_END_SATISFIED && info.unsatisfied == 0 && info.margin_min > 1 - 2e-3);
  for (n = 0; n < 300; n++) { /* relative to what is subtracted from what */
    double size = q.net.beta[n] * q.net.beta[n];
    worst = fmax(worst, fabs(invariant(&q.net, n) - before[n]) / fmax(size, fabs(before[n])));
  }
  CHECK(info.lambda > 3);
  CLOSE(worst, 0, 1e-9);
  free(before);
  free_problem(&q);
}

static void flow_predicts(void) {
  test_problem q = make_problem(INVMAN_STRIPE, 3, 40, 30, 2);
  invman_net start;
  invman_flow_options o = no_options();
  invman_flow *flow;
  double F[40], same[120];
  size_t i;
  invman_net_copy(NULL, &q.net, &start);
  o.alpha = 0.5;
  o.step_max = 20;
  flow = open_flow(NULL, &q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED && flow->info.end == INVMAN_END_STEP_MAX && flow->info.step == 20);
  CHECK(invman_flow_predict(flow, q.train.x, 40, F) == INVMAN_OK);
  memcpy(same, q.train.x, sizeof same);
  CHECK(invman_flow_predict(flow, same, 40, same) == INVMAN_OK && same_bits(same, F, 40)); /* in place */
  invman_i_look_again(flow, HUGE_VAL);
  for (i = 0; i < 40; i++) {
    CLOSE(F[i], 0.5 * (plain_eval(&q.net, q.train.x + 3 * i) - plain_eval(&start, q.train.x + 3 * i)), 1e-14);
    CLOSE(flow->margin[i], q.train.y[i] * F[i], 1e-14);
  }
  invman_net_free(NULL, &start);
  invman_flow_free(flow);
  free_problem(&q);
}

/* ---- invariances. A few steps only: what differs by rounding parts where events come in another order. */

static void run_steps(const invman_context *ctx, test_problem *q, size_t steps, double *margin,
                      invman_flow_info *info) {
  invman_flow_options o = no_options();
  invman_flow *flow;
  o.step_max = steps;
  flow = open_flow(ctx, q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED);
  memcpy(margin, flow->margin, q->train.n * sizeof(double));
  *info = flow->info;
  invman_flow_free(flow);
}

static void reverse(double *x, size_t rows, size_t width) {
  size_t i, k;
  for (i = 0; i < rows / 2; i++)
    for (k = 0; k < width; k++) {
      double *a = x + i * width + k, *b = x + (rows - 1 - i) * width + k, swap = *a;
      *a = *b;
      *b = swap;
    }
}

static void flow_invariances(void) {
  enum { P = 60, H = 50, D = 4, STEPS = 90 };
  double base[P], other[P], c = cos(0.4), s = sin(0.4);
  invman_flow_info info, changed;
  test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 3);
  size_t i;
  run_steps(NULL, &q, STEPS, base, &info);
  CHECK(info.unsatisfied < P); /* some have arrived */
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, D, P, H, 3); /* data and first layer turned in the perpendicular plane 2,3 */
  for (i = 0; i < P + H; i++) {
    double *v = i < P ? q.train.x + i * D : q.net.w + (i - P) * D, a = v[2], b = v[3];
    v[2] = c * a - s * b;
    v[3] = s * a + c * b;
  }
  run_steps(NULL, &q, STEPS, other, &changed);
  CLOSE(largest_difference(base, other, P), 0, 1e-8);
  CLOSE(changed.t / info.t, 1, 1e-8);
  CLOSE(changed.lambda / info.lambda, 1, 1e-8);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, D, P, H, 3); /* the neurons in reverse */
  reverse(q.net.w, H, D);
  reverse(q.net.b, H, 1);
  reverse(q.net.beta, H, 1);
  run_steps(NULL, &q, STEPS, other, &changed);
  CLOSE(largest_difference(base, other, P), 0, 1e-8);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, D, P, H, 3); /* the points in reverse */
  reverse(q.train.x, P, D);
  reverse(q.train.y, P, 1);
  run_steps(NULL, &q, STEPS, other, &changed);
  reverse(other, P, 1);
  CLOSE(largest_difference(base, other, P), 0, 1e-8);
  free_problem(&q);
}

static void flow_same_bits_for_any_threads(void) {
  invman_context ctx;
  size_t calls = 0, kind;
  for (kind = 0; kind < 4; kind++) {
    test_problem a = make_problem((int)kind % 2, 5, 300, 400, 4), b = make_problem((int)kind % 2, 5, 300, 400, 4);
    invman_flow_info one, two;
    invman_flow_options o = no_options();
    o.single = kind > 1;
    memset(&ctx, 0, sizeof ctx);
    CHECK(invman_train(NULL, &a.net, &a.train, &o, &one) == INVMAN_OK);
    ctx.parallel_for = backwards;
    ctx.user = &calls;
    CHECK(invman_train(&ctx, &b.net, &b.train, &o, &two) == INVMAN_OK);
    CHECK(calls > 0 && same_net(&a.net, &b.net));
    CHECK(one.t == two.t && one.step == two.step && one.events == two.events && one.lambda_star == two.lambda_star);
    CHECK(one.single_error == two.single_error && one.in_single == o.single);
    free_problem(&a);
    free_problem(&b);
  }
}

static void flow_vector_paths_agree(void) {
  static const int bits[3] = {512, 256, 128};
  enum { P = 70, H = 60 };
  double margin[3][P];
  invman_flow_info info[3];
  invman_context ctx;
  size_t k;
  memset(&ctx, 0, sizeof ctx);
  for (k = 0; k < 3; k++) {
    test_problem q = make_problem(INVMAN_CYLINDER, 3, P, H, 5);
    ctx.vector_bits = bits[k];
    run_steps(&ctx, &q, 60, margin[k], &info[k]);
    CLOSE(largest_difference(margin[0], margin[k], P), 0, 1e-8);
    CLOSE(info[k].t / info[0].t, 1, 1e-8);
    free_problem(&q);
  }
}

/* ---- Gram matrix of the near points, held gates included: against gradients of single points */

/* Whether the sweeps see neuron n active at point i: by what it alone gives. Next to z = 0 that hangs on rounding. */
static int sees(invman_flow *f, size_t n, size_t i) {
  size_t h = invman_i_net_of(f)->net->h, d = invman_i_net_of(f)->net->d, k;
  invman_i_pack one = invman_i_pack_take(&f->scope, h, d);
  invman_i_points point = invman_i_points_of(f->batch.train->x + i * d, NULL, 1, d);
  double out;
  if (f->info.in_single) point.narrow = invman_i_net_of(f)->x_narrow + i * d;
  invman_i_pack_net(invman_i_net_of(f)->net, &one);
  for (k = 0; k < h; k++) invman_i_neuron(&one, k)[(d + 1) * INVMAN_I_WIDTH] = k == n;
  invman_i_eval_points(&f->context, &one, invman_i_narrow(invman_i_net_of(f)), point, invman_i_net_of(f)->partial,
                       &out);
  invman_i_give(&f->scope, one.v);
  return out > 0;
}

static void flow_held_z_is_the_sweeps(void) { /* to the bit, where rounding decides the sign */
  static const int bits[3] = {512, 256, 128};
  enum { P = 20, H = 200, D = 7 };
  size_t b, n, k;
  for (b = 0; b < 6; b++) {
    test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 22);
    invman_flow_options o = no_options();
    invman_context ctx;
    invman_flow *f;
    memset(&ctx, 0, sizeof ctx);
    ctx.vector_bits = bits[b % 3];
    o.single = b > 2;
    for (n = 0; n < H; n++) { /* neuron n passes through point n % P, up to rounding */
      const double *x = q.train.x + n % P * D;
      for (k = 0, q.net.b[n] = 0; k < D; k++) q.net.b[n] -= q.net.w[n * D + k] / sqrt((double)D) * x[k];
    }
    f = open_flow(&ctx, &q, &o);
    CHECK(invman_i_held_reserve(invman_i_net_of(f), H) == INVMAN_OK);
    for (n = 0; n < H; n++)
      invman_i_net_of(f)->held[n].n = n, invman_i_net_of(f)->held[n].i = n % P, invman_i_net_of(f)->held[n].gate = 0.5;
    invman_i_net_of(f)->held_count = H;
    invman_i_net_move(f->self_, 0);
    for (n = 0; n < H; n++) {
      CLOSE(invman_i_net_of(f)->held[n].z, 0, b > 2 ? 1e-5 : 1e-14);
      CHECK(sees(f, n, n % P) == (invman_i_net_of(f)->held[n].z > 0));
    }
    invman_flow_free(f);
    free_problem(&q);
  }
}

/* Sums with held gates against the same sums neuron by neuron, where gates are numbers of their own. */
static void flow_held_sums(void) {
  static const int bits[3] = {512, 256, 128};
  enum { P = 40, H = 60, D = 3 };
  size_t b, n, i, j, k;
  for (b = 0; b < 3; b++) {
    test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 21);
    invman_flow_options o = no_options();
    invman_context ctx;
    invman_flow *f;
    double gate[P][H], z[P][H], G[H][D + 1], vG[H], rate[P], sum, unit = sqrt(2.0) / H;
    invman_i_points near;
    memset(&ctx, 0, sizeof ctx);
    ctx.vector_bits = bits[b];
    o.alpha = 1;
    f = open_flow(&ctx, &q, &o);
    while (invman_i_net_of(f)->held_count < 20 && invman_flow_step(f) == INVMAN_STOPPED) {}
    CHECK(invman_i_net_of(f)->held_count >= 20);
    memset(f->batch.nearby, 0, P);
    invman_i_split(f); /* all push or none, listed in some order */
    invman_i_pack_net(&q.net, &invman_i_net_of(f)->trial);
    invman_i_held_z (&ctx)(0, f->self_);
    invman_i_net_gradient(f->self_, 0, P, 0);
    invman_i_net_rates(f->self_, 0, P, rate);

    for (n = 0; n < H; n++)
      for (i = 0; i < P; i++) {
        const double *x = q.train.x + i * D;
        for (k = 0, z[i][n] = q.net.b[n]; k < D; k++) z[i][n] += q.net.w[n * D + k] * x[k] / sqrt((double)D);
        gate[i][n] = fabs(z[i][n]) < 1e-12 ? sees(f, n, i) : z[i][n] > 0;
      }
    for (k = 0; k < invman_i_net_of(f)->held_count; k++) {
      const invman_i_held *h = &invman_i_net_of(f)->held[k];
      CLOSE(h->z, z[h->i][h->n], 1e-13);
      gate[h->i][h->n] = h->gate;
      CHECK(sees(f, h->n, h->i) == (h->z > 0));
    }
    for (n = 0; n < H; n++) {
      memset(G[n], 0, sizeof G[n]);
      for (i = 0; i < P; i++) {
        for (k = 0; k < D; k++) G[n][k] += gate[i][n] * f->batch.r[i] * q.train.x[i * D + k] / sqrt((double)D);
        G[n][D] += gate[i][n] * f->batch.r[i];
      }
      for (k = 0, vG[n] = q.net.b[n] * G[n][D]; k < D; k++) vG[n] += q.net.w[n * D + k] * G[n][k];
      for (k = 0; k < D; k++)
        CLOSE(invman_i_neuron(&invman_i_net_of(f)->grad, n)[k * INVMAN_I_WIDTH], G[n][k] / sqrt((double)D), 1e-15);
      CLOSE(invman_i_neuron(&invman_i_net_of(f)->grad, n)[D * INVMAN_I_WIDTH], G[n][D], 1e-15);
      CLOSE(invman_i_neuron(&invman_i_net_of(f)->grad, n)[(D + 1) * INVMAN_I_WIDTH], vG[n], 1e-15);
    }
    for (j = 0; j < P; j++) {
      i = f->batch.list[j];
      for (n = 0, sum = 0; n < H; n++) {
        double along = G[n][D];
        for (k = 0; k < D; k++) along += G[n][k] * q.train.x[i * D + k] / sqrt((double)D);
        sum += gate[i][n] * unit * (q.net.beta[n] * q.net.beta[n] * along + vG[n] * z[i][n]);
      }
      CLOSE(rate[j], q.train.y[i] * sum, 1e-14);
    }

    memset(f->batch.nearby, 1, P); /* the Gram matrix of all points */
    invman_i_split(f);
    CHECK(invman_i_near_reserve(f) == INVMAN_OK);
    near = invman_i_listed(invman_i_net_of(f), 0, P);
    invman_i_net_of(f)->gram.net = &invman_i_net_of(f)->trial;
    invman_i_net_of(f)->gram.held = invman_i_net_of(f)->held;
    invman_i_net_of(f)->gram.held_count = invman_i_net_of(f)->held_count;
    invman_i_net_of(f)->gram.where = f->batch.where;
    invman_i_gram_points(&ctx, &invman_i_net_of(f)->gram, &near, NULL, f->batch.K);
    for (i = 0; i < P; i++)
      for (j = 0; j < P; j++) {
        double xx = invman_i_inner(q.train.x + i * D, q.train.x + j * D, D) / D + 1;
        for (n = 0, sum = 0; n < H; n++)
          sum += unit * unit * gate[i][n] * gate[j][n] * (z[i][n] * z[j][n] + q.net.beta[n] * q.net.beta[n] * xx);
        CLOSE(f->batch.K[f->batch.where[i] * P + f->batch.where[j]], sum, 1e-13);
      }
    invman_flow_free(f);
    free_problem(&q);
  }
}

static void flow_gates_are_consistent(void) { /* a solved gate leaves z at zero, or is 0 with z < 0, or 1 with z > 0 */
  size_t trial, k, l;
  for (trial = 0; trial < 200; trial++) {
    double own[INVMAN_I_HELD_MAX][INVMAN_I_HELD_MAX], *base = normals(8, 50 + trial), gate[8],
                                                      *K = random_kernel(8, 12, 300 + trial);
    size_t n = 1 + trial % 8;
    for (k = 0; k < n; k++)
      for (l = 0; l < n; l++) own[k][l] = -K[8 * k + l];
    for (k = 0; k < n; k++) gate[k] = 0.5;
    invman_i_solve_gates(n, base, own, gate);
    for (k = 0; k < n; k++) {
      double z = base[k];
      for (l = 0; l < n; l++) z += own[k][l] * gate[l];
      CHECK(gate[k] >= 0 && gate[k] <= 1);
      if (gate[k] > 1e-6 && gate[k] < 1 - 1e-6) CLOSE(z, 0, 1e-5);
      if (gate[k] <= 1e-6) CHECK(z < 1e-5);
      if (gate[k] >= 1 - 1e-6) CHECK(z > -1e-5);
    }
    free(base), free(K);
  }
}

/* ---- ends */

static int stop_at_7(const invman_flow_info *info, const invman_net *net, void *user) {
  ++*(size_t *)user;
  return net->h > 0 && info->step == 7;
}
static int stop_progress(const char *stage, double done, void *user) {
  return !strcmp(stage, "flow") && done >= 0 && done <= 1 && ++*(size_t *)user == 9;
}

static int last_report(const invman_flow_info *info, const invman_net *net, void *user) {
  (void)net;
  *(int *)user = info->end;
  return 0;
}

static void flow_every_end(void) {
  test_problem q, whole = make_problem(INVMAN_STRIPE, 3, 50, 40, 7);
  invman_flow_options o;
  invman_flow_info done;
  invman_flow *flow;
  size_t calls, ticks = 0;
  int ends = -1;
  invman_context ctx;
  double twins[4] = {0.5, 1, 0.5, 1}, labels[2] = {1, -1};
  CHECK(invman_train(NULL, &whole.net, &whole.train, NULL, &done) == INVMAN_OK && done.end == INVMAN_END_SATISFIED);

  q = make_problem(INVMAN_STRIPE, 3, 50, 40, 7); /* the report callback; the run then goes on to the same bits */
  o = no_options();
  o.report = stop_at_7;
  o.user = &calls;
  calls = 0;
  flow = open_flow(NULL, &q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED && flow->info.end == INVMAN_END_REPORT);
  CHECK(flow->info.step == 7 && calls == 7);
  CHECK(invman_flow_run(flow) == INVMAN_OK && calls == flow->info.step && same_net(&q.net, &whole.net));
  CHECK(invman_flow_run(flow) == INVMAN_OK && invman_flow_step(flow) == INVMAN_OK && calls == done.step);
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 3, 50, 40, 7); /* progress, at every step */
  o = no_options();
  o.report_every = 3;
  memset(&ctx, 0, sizeof ctx);
  ctx.progress = stop_progress;
  ctx.user = &ticks;
  flow = open_flow(&ctx, &q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED && flow->info.end == INVMAN_END_PROGRESS && flow->info.step == 9);
  CHECK(invman_flow_run(flow) == INVMAN_OK && same_net(&q.net, &whole.net));
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 3, 50, 40, 7); /* time */
  o = no_options();
  o.t_max = 0.37 * done.t;
  o.test = &q.test;
  flow = open_flow(NULL, &q, &o);
  CHECK(flow->info.test_error == -1 && flow->info.status == INVMAN_STOPPED && flow->info.end == INVMAN_END_NONE);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED && flow->info.end == INVMAN_END_T_MAX && flow->info.t == o.t_max);
  CHECK(flow->info.test_error >= 0 && flow->info.test_error < 0.5);
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 2, 2, 20, 8); /* rest: equal points, opposite labels; F stays where it was */
  memcpy(q.train.x, twins, sizeof twins);
  memcpy(q.train.y, labels, sizeof labels);
  flow = open_flow(NULL, &q, NULL);
  CHECK(invman_flow_run(flow) == INVMAN_NOT_SEPARABLE && flow->info.end == INVMAN_END_REST);
  CLOSE(flow->info.loss, 1, 1e-12);
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 2, 4, 20, 9); /* the same twins beside two points that can be separated */
  memcpy(q.train.x, twins, sizeof twins);
  q.train.x[4] = -2, q.train.x[5] = 1, q.train.x[6] = 1.5, q.train.x[7] = -1;
  q.train.y[0] = q.train.y[2] = 1, q.train.y[1] = q.train.y[3] = -1;
  o = no_options();
  o.step_max = 20000;
  flow = open_flow(NULL, &q, &o);
  CHECK(invman_flow_run(flow) != INVMAN_OK && flow->info.unsatisfied >= 1);
  CLOSE(flow->margin[0] + flow->margin[1], 0, 1e-9);
  CHECK(flow->margin[2] > 0.99 && flow->margin[3] > 0.99 && flow->info.loss > 0.49);
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 4, 8, 30, 9); /* contradictory labels on two points: rests where half are wrong */
  for (calls = 0; calls < 32; calls++) q.train.x[calls] = calls / 4 % 2 ? 1 : -1;
  for (calls = 0; calls < 8; calls++) q.train.y[calls] = calls < 3 || calls == 5 ? 1 : -1;
  o = no_options();
  o.step_max = 3000;
  o.report = last_report;
  o.report_every = 1000;
  o.user = &ends;
  flow = open_flow(NULL, &q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_NOT_SEPARABLE && flow->info.end == INVMAN_END_REST && flow->info.rejected < 20);
  CHECK(ends == INVMAN_END_REST); /* the end is always reported */
  invman_flow_free(flow);
  free_problem(&q);

  q = make_problem(INVMAN_STRIPE, 2, 1, 5, 10); /* no neuron sees the only point */
  for (calls = 0; calls < 5; calls++) q.net.b[calls] = -100;
  flow = open_flow(NULL, &q, NULL);
  CHECK(invman_flow_run(flow) == INVMAN_NOT_SEPARABLE && flow->info.end == INVMAN_END_REST && flow->info.loss == 1);
  invman_flow_free(flow);
  free_problem(&q);
  free_problem(&whole);
}

static void flow_reach(void) { /* bounds the change of f, and is attained where one neuron looks along a point */
  static const size_t hs[] = {1, 9, 100};
  static const double turns[] = {1e-6, 0.01, 1, 3};
  size_t a, k, i;
  for (a = 0; a < 3; a++)
    for (k = 0; k < 4; k++) {
      test_problem q = make_problem(INVMAN_STRIPE, 4, 60, hs[a], 5 + k);
      invman_flow_options o = no_options();
      invman_flow *flow = open_flow(NULL, &q, &o);
      double start[60], tightest = 0, reach;
      for (i = 0; i < 4 && a == 0; i++) q.net.w[i] = q.train.x[i] / 2, q.net.b[0] = 1, q.net.beta[0] = 1e-3;
      memset(flow->batch.nearby, 0, 60);
      invman_i_split(flow);
      for (i = 0; i < 60; i++) flow->batch.r[i] = a == 0 ? (double)(i == 0) : q.train.y[i] / 60;
      invman_i_net_move(flow->self_, 0);
      invman_i_net_gradient(flow->self_, 0, 60, 0);
      invman_i_net_move(flow->self_, 0);
      CHECK(invman_i_net_of(flow)->reach == 0);
      invman_i_wide_margins(flow, 0, 60, start);
      invman_i_net_move(flow->self_, turns[k] / flow->batch.speed);
      reach = invman_i_net_of(flow)->reach;
      CHECK(reach > 0);
      invman_i_wide_margins(flow, 0, 60, flow->batch.next);
      for (i = 0; i < 60; i++) {
        double change = fabs(flow->batch.next[i] - start[i]) / flow->options.alpha,
               bound = reach * sqrt(invman_i_net_of(flow)->square[i]);
        CHECK(change <= bound * (1 + 1e-9) + 1e-12);
        tightest = fmax(tightest, change / bound);
      }
      CHECK(tightest > (a == 0 ? 0.98 : 1e-3));
      invman_flow_free(flow);
      free_problem(&q);
    }
}

static void flow_far_points(void) { /* whose rates no sweep gives: they stay above their margin, or count as errors */
  test_problem q = make_problem(INVMAN_STRIPE, 3, 80, 100, 20);
  invman_flow_options o = no_options();
  invman_flow *flow = open_flow(NULL, &q, &o);
  size_t far = 0, unseen = 0, i, k;
  double before[80], F[80];
  while (invman_flow_step(flow) == INVMAN_STOPPED) {
    CHECK(invman_flow_predict(flow, q.train.x, 80, F) == INVMAN_OK);
    for (i = 0; i < 80; i++) {
      CHECK(flow->margin[i] > 1 || fabs(flow->margin[i] - flow->predicted[i]) <= 0.1);
      /* Where a margin was not looked at it has not changed by more than the bound says. */
      CLOSE(flow->margin[i], q.train.y[i] * F[i], flow->gap[i] + 1e-13);
      CHECK(flow->gap[i] == 0 || (flow->batch.nearby[i] == INVMAN_I_FAR && flow->margin[i] - flow->gap[i] > 1.1));
      unseen += flow->gap[i] > 0;
      if (flow->batch.nearby[i] != INVMAN_I_FAR || flow->gap[i] + flow->gap_next[i] > 0) continue;
      far++;
      CLOSE(flow->batch.rate[i], (flow->margin[i] - flow->batch.next[i]) / flow->info.dt,
            1e-12 * fabs(flow->batch.rate[i]));
    }
  }
  CHECK(flow->info.end == INVMAN_END_SATISFIED && far > 20 && unseen > 1000);
  CHECK(invman_flow_predict(flow, q.train.x, 80, F) == INVMAN_OK);
  for (i = 0; i < 80; i++) CLOSE(flow->margin[i], q.train.y[i] * F[i], 1e-13); /* all of them, at the end */
  invman_flow_free(flow);
  free_problem(&q);

  /* Rates that are wrong make points far which are not: a step that takes them below their margin is refused. */
  q = make_problem(INVMAN_STRIPE, 3, 80, 100, 20);
  flow = open_flow(NULL, &q, &o);
  for (k = 0; k < 150; k++) invman_flow_step(flow);
  for (k = 0; k < 40 && flow->info.end == INVMAN_END_NONE; k++) {
    for (i = 0; i < 80; i++) flow->batch.rate[i] = 0;
    flow->typical = 0;
    memcpy(before, flow->margin, sizeof before);
    invman_flow_step(flow);
    for (i = 0; i < 80; i++)
      if (flow->batch.nearby[i] == INVMAN_I_FAR && !(flow->margin[i] > 1))
        CHECK(fabs(flow->margin[i] - before[i]) <= 0.1);
  }
  invman_flow_free(flow);
  free_problem(&q);
}

static void flow_few_steps_are_rejected(void) {
  /* Points that rest at their margin while others move still push: without that push a step's prediction is wrong at
     any length, and hundreds of steps are rejected here. */
  size_t p;
  for (p = 5; p <= 80; p *= 2) {
    test_problem q = make_problem(INVMAN_STRIPE, 3, p, 100, 3);
    invman_flow_options o = no_options();
    invman_flow_info info;
    o.rotation_tol = o.margin_tol = 0.03;
    CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK);
    CHECK(info.rejected < 10 + info.step / 50);
    free_problem(&q);
  }
}

static void flow_relative_tol(
    void) { /* every accepted step's error stays below it, where margins are still small too */
  test_problem q = make_problem(INVMAN_STRIPE, 3, 60, 50, 5);
  invman_flow_options o = no_options();
  size_t k, i, few = 0;
  for (k = 0; k < 3; k++) { /* none, one that asks for more than margin_tol does, one that asks for less */
    invman_flow *flow;
    o.relative_tol = k == 1 ? 0.003 : k == 2 ? 1 : 0;
    o.t_max = 200;
    CHECK(invman_flow_create(NULL, &q.net, &q.train, &o, &flow) == INVMAN_OK);
    while (invman_flow_step(flow) == INVMAN_STOPPED && flow->info.end == INVMAN_END_NONE) {
      double error = 0, size = 0;
      for (i = 0; i < 60; i++) {
        size = fmax(size, fabs(flow->margin[i]));
        if (flow->gap[i] == 0 && flow->batch.nearby[i] != INVMAN_I_FAR)
          error = fmax(error, fabs(flow->margin[i] - flow->predicted[i]));
      }
      CHECK(error <= 0.1 && (k != 1 || error <= 0.003 * size * (1 + 1e-12)));
    }
    if (k == 0) few = flow->info.step;
    CHECK(k != 1 || flow->info.step > few + 10);
    CHECK(k != 2 || flow->info.step < few + 10);
    invman_flow_free(flow);
    free_problem(&q);
    q = make_problem(INVMAN_STRIPE, 3, 60, 50, 5);
  }
  free_problem(&q);
}

static void flow_all_regimes(void) { /* from the features' to the lazy one, and each loss: to the end */
  static const double alpha[] = {1e-16, 1e-6, 1e-2, 1, 1e3, 1e8};
  size_t k;
  int loss;
  for (k = 0; k < 6; k++) {
    test_problem q = make_problem(INVMAN_CYLINDER, 3, 80, 100, 11);
    invman_flow_options o = no_options();
    invman_flow_info info;
    o.alpha = alpha[k];
    o.d_par = 2;
    CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK);
    CHECK(info.t_star > 0 && info.t_star < info.t && info.lambda_max >= info.lambda_star &&
          info.lambda_max >= info.lambda);
    if (k == 0) CHECK(info.lambda_star > 2);
    if (k == 5) CLOSE(info.lambda_star, invman_amplification(&q.net, 2), 1e-3); /* weights hardly move */
    free_problem(&q);
  }
  for (loss = INVMAN_SOFT_HINGE; loss <= INVMAN_SQUARED_HINGE; loss++) {
    test_problem q = make_problem(INVMAN_STRIPE, 4, 60, 80, 12);
    invman_flow_options o = no_options();
    invman_flow_info info;
    o.loss = loss;
    CHECK(invman_train(NULL, &q.net, &q.train, &o, &info) == INVMAN_OK && info.unsatisfied == 0);
    free_problem(&q);
  }
}

/* ---- single precision */

static void flow_single_sweeps(
    void) { /* each against the one in double, for all vector widths and sizes around tiles */
  static const size_t hs[] = {1, 8, 9, 17, 33, 65, 400}, ds[] = {1, 3, 5, 10}, ns[] = {2, 5, 70, 300};
  static const int bits[3] = {512, 256, 128};
  size_t a, b, c, k, i, n;
  for (a = 0; a < 7; a++)
    for (b = 0; b < 4; b++)
      for (c = 0; c < 4; c++)
        for (k = 0; k < 3; k++) {
          size_t h = hs[a], d = ds[b], p = ns[c];
          test_problem q = make_problem(INVMAN_STRIPE, d, p, h, 23);
          invman_flow_options o = no_options();
          invman_context ctx;
          invman_flow *f[2];
          double *rate[2], *out[2], size = 0, speed = 0, weight = 0;
          memset(&ctx, 0, sizeof ctx);
          ctx.vector_bits = bits[k];
          o.alpha = 1;
          q.train.y[0] = -q.train.y[1]; /* both labels */
          for (i = 0; i < 2; i++) {
            o.single = (int)i;
            f[i] = open_flow(&ctx, &q, &o);
            rate[i] = (double *)calloc(p, sizeof(double));
            out[i] = (double *)calloc(p, sizeof(double));
            memset(f[i]->f0, 0, p * sizeof(double));
            memset(f[i]->batch.nearby, 0, p);
            invman_i_split(f[i]);
            invman_i_net_move(f[i]->self_, 0);
            invman_i_net_gradient(f[i]->self_, 0, p / 2, 0);
            invman_i_net_gradient(f[i]->self_, p / 2, p - p / 2, 1);
            invman_i_net_rates(f[i]->self_, 0, p, rate[i]);
            invman_i_eval_margins(f[i], out[i]);
          }
          for (i = 0; i < p; i++) { /* in proportion to what is summed */
            size = fmax(size, invman_i_net_of(f[0])->square[i]);
            weight += fabs(f[0]->batch.r[i]);
          }
          for (n = 0; n < h; n++) {
            const double *v = invman_i_neuron(&invman_i_net_of(f[0])->trial, n);
            double norm = v[(d + 1) * INVMAN_I_WIDTH] * v[(d + 1) * INVMAN_I_WIDTH];
            for (i = 0; i <= d; i++) norm += v[i * INVMAN_I_WIDTH] * v[i * INVMAN_I_WIDTH];
            speed += norm / (double)h;
          }
          CLOSE(largest_difference(out[0], out[1], p), 0, 1e-6 * (double)(d + 1) * sqrt(size) * speed);
          CLOSE(largest_difference(rate[0], rate[1], p), 0, 1e-6 * (double)(d + 1) * size * speed * weight);
          for (n = 0; n < h; n++)
            for (i = 0; i <= d; i++)
              CLOSE(invman_i_neuron(&invman_i_net_of(f[1])->grad, n)[i * INVMAN_I_WIDTH],
                    invman_i_neuron(&invman_i_net_of(f[0])->grad, n)[i * INVMAN_I_WIDTH], 1e-6 * weight * sqrt(size));
          for (i = 0; i < 2; i++) free(rate[i]), free(out[i]), invman_flow_free(f[i]);
          free_problem(&q);
        }
}

/* A run in single precision: what it says of itself is so in double. */
static invman_flow_info single_run(int kind, size_t d, size_t p, size_t h, double alpha, uint64_t seed) {
  test_problem q = make_problem(kind, d, p, h, seed), wide = make_problem(kind, d, p, h, seed);
  invman_flow_options o = no_options();
  invman_flow_info info, other;
  invman_flow *flow;
  double *F = (double *)malloc(p * sizeof(double)), least = HUGE_VAL;
  size_t i;
  o.alpha = alpha;
  CHECK(invman_train(NULL, &wide.net, &wide.train, &o, &other) == INVMAN_OK);
  CHECK(other.in_single == 0 && other.single_error == 0);
  o.single = 1;
  flow = open_flow(NULL, &q, &o);
  CHECK(flow->info.in_single == 1);
  CHECK(invman_flow_run(flow) == INVMAN_OK);
  info = flow->info;
  CHECK(info.end == other.end && info.unsatisfied == 0 && info.single_error > 0);
  CLOSE(info.t_star / other.t_star, 1, 0.05);
  CHECK(invman_flow_predict(flow, q.train.x, p, F) == INVMAN_OK);
  for (i = 0; i < p; i++) {
    least = fmin(least, q.train.y[i] * F[i]);
    CLOSE(flow->margin[i], q.train.y[i] * F[i], 1e-11 * fmax(1, alpha)); /* the last ones are doubles */
  }
  CHECK(least > 1 - 2e-3);
  CLOSE(info.margin_min, least, 1e-11 * fmax(1, alpha));
  invman_flow_free(flow);
  free_problem(&q);
  free_problem(&wide);
  free(F);
  return info;
}

static void flow_single(void) {
  invman_model model;
  invman_flow_options o = no_options();
  invman_flow *flow;
  test_problem q = make_problem(INVMAN_STRIPE, 2, 5, 4, 15);
  invman_flow_info info = single_run(INVMAN_STRIPE, 5, 200, 300, 1e-6, 1);
  CHECK(info.in_single && info.single_error < 6e-5);
  info = single_run(INVMAN_CYLINDER, 3, 100, 200, 1, 2);
  CHECK(info.in_single && info.single_error < 6e-5);
  info = single_run(INVMAN_STRIPE, 3, 60, 100, 1e6, 3); /* from the first step on too coarse */
  CHECK(!info.in_single && info.single_error > 0.01);
  info = single_run(INVMAN_STRIPE, 3, 60, 64, 4e5, 13); /* good enough at first, not near the end */
  CHECK(!info.in_single && info.single_error > 1e-3 && info.single_error < 0.1);

  memset(&model, 0, sizeof model); /* not for models */
  o.single = 1;
  CHECK(invman_flow_create_model(NULL, &model, &q.train, &o, &flow) == INVMAN_E_ARG);
  free_problem(&q);
}

static void flow_single_ends_in_double(void) { /* a margin that is above 1 - margin_stop in floats only */
  test_problem q = make_problem(INVMAN_STRIPE, 3, 60, 64, 13);
  invman_flow_options o = no_options();
  invman_flow *flow;
  double worst = HUGE_VAL;
  size_t i;
  o.single = 1;
  flow = open_flow(NULL, &q, &o);
  while (invman_flow_step(flow) == INVMAN_STOPPED && flow->info.unsatisfied > 5) {}
  CHECK(flow->info.unsatisfied > 0 && flow->info.in_single);
  for (i = 0; i < 60; i++) worst = fmin(worst, flow->margin[i] = fmax(flow->margin[i], 1));
  invman_i_measure(flow);
  CHECK(flow->info.unsatisfied == 0 && worst == 1);
  CHECK(invman_i_check_limits(flow) == INVMAN_STOPPED && flow->info.unsatisfied > 0 && !flow->info.in_single);
  CHECK(flow->info.margin_min < 1 - 2e-3 && flow->info.single_error > 2e-3);
  CHECK(invman_flow_run(flow) == INVMAN_OK && !flow->info.in_single);
  invman_flow_free(flow);
  free_problem(&q);
}

/* ---- files */

static void flow_resumes_to_the_same_bits(void) { /* stopped and resumed after every step, for each loss */
  int kind;                                       /* and in single precision, to the end and beyond it */
  for (kind = INVMAN_HINGE; kind <= INVMAN_SQUARED_HINGE + 2; kind++) {
    int single = kind > INVMAN_SQUARED_HINGE, loss = single ? INVMAN_HINGE : kind;
    test_problem a = make_problem(INVMAN_STRIPE, 3, 60, 64, 13), b = make_problem(INVMAN_STRIPE, 3, 60, 64, 13);
    invman_flow_options o = no_options();
    invman_flow *whole, *part;
    invman_status status = INVMAN_STOPPED;
    size_t held = 0, count[2] = {0, 0};
    o.loss = loss;
    o.single = single;
    if (kind == INVMAN_SQUARED_HINGE + 2) o.alpha = 4e5; /* which it leaves early */
    if (loss != INVMAN_HINGE) o.step_max = 120;
    whole = open_flow(NULL, &a, &o);
    part = open_flow(NULL, &b, &o);
    o.single = 0; /* the file knows */
    while (status == INVMAN_STOPPED && part->info.end != INVMAN_END_STEP_MAX) {
      invman_flow *next;
      count[part->info.in_single]++;
      CHECK(invman_flow_save(part, in_test_dir("part.flow")) == INVMAN_OK);
      if (part->info.step % 2) memset(b.net.w, 0, 64 * 3 * sizeof(double)); /* all is in the file */
      else invman_net_free(NULL, &b.net);
      invman_flow_free(part);
      if (invman_flow_resume(NULL, in_test_dir("part.flow"), &b.net, &b.train, &o, &next) < 0) {
        CHECK(!"resumed");
        exit(1);
      }
      part = next;
      status = invman_flow_step(part);
      held = invman_i_max(held, part->info.held);
    }
    while (invman_flow_step(whole) == INVMAN_STOPPED && whole->info.end != INVMAN_END_STEP_MAX) {}
    CHECK(part->info.step > (o.alpha > 1 ? 5 : 60) && same_net(&a.net, &b.net));
    CHECK((count[1] > (o.alpha > 1 ? 0 : 4)) == single && (count[0] > 0) == (!single || o.alpha > 1));
    CHECK(memcmp(&part->info, &whole->info, sizeof part->info) == 0);
    CHECK(same_bits(part->margin, whole->margin, 60));
    if (loss == INVMAN_HINGE)
      CHECK(status == INVMAN_OK && (held > 0 || o.alpha > 1)); /* what is hardest to save was there */
    invman_flow_free(part);
    invman_flow_free(whole);
    free_problem(&a);
    free_problem(&b);
  }
}

static void flow_limits_may_change(void) { /* a run that t_max ended goes on after it */
  test_problem q = make_problem(INVMAN_STRIPE, 3, 40, 40, 14);
  invman_flow_options o = no_options();
  invman_flow *flow, *next;
  o.t_max = 100;
  flow = open_flow(NULL, &q, &o);
  CHECK(invman_flow_run(flow) == INVMAN_STOPPED && invman_flow_save(flow, in_test_dir("a.flow")) == INVMAN_OK);
  invman_flow_free(flow);
  CHECK(invman_flow_resume(NULL, in_test_dir("a.flow"), &q.net, &q.train, &o, &next) == INVMAN_OK);
  CHECK(next->info.end == INVMAN_END_T_MAX && invman_flow_step(next) == INVMAN_STOPPED && next->info.t == 100);
  invman_flow_free(next);
  o.t_max = 0;
  CHECK(invman_flow_resume(NULL, in_test_dir("a.flow"), &q.net, &q.train, &o, &next) == INVMAN_OK);
  CHECK(next->info.end == INVMAN_END_NONE && invman_flow_run(next) == INVMAN_OK && next->info.t > 100);
  invman_flow_free(next);
  free_problem(&q);
}

static void flow_file_refused(void) {
  test_problem q = make_problem(INVMAN_STRIPE, 2, 5, 4, 15), other = make_problem(INVMAN_STRIPE, 2, 5, 3, 16);
  invman_flow_options o = no_options();
  invman_context ctx;
  invman_error error;
  invman_flow *flow, *next;
  invman_net kept;
  unsigned char *bytes;
  char path[512];
  size_t size, k;
  snprintf(path, sizeof path, "%s", in_test_dir("b.flow"));
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  o.step_max = 5;
  flow = open_flow(NULL, &q, &o);
  invman_flow_run(flow);
  CHECK(invman_flow_save(flow, path) == INVMAN_OK && left_beside(path) == 0);
  invman_net_copy(NULL, &q.net, &kept);
  bytes = read_bytes(path, &size);
  for (k = 0; k < size; k++) {
    write_bytes(in_test_dir("bad.flow"), bytes, k);
    CHECK(invman_flow_resume(&ctx, in_test_dir("bad.flow"), &q.net, &q.train, &o, &next) == INVMAN_E_FORMAT && !next);
    bytes[k] ^= 0x21;
    write_bytes(in_test_dir("bad.flow"), bytes, size);
    CHECK(invman_flow_resume(&ctx, in_test_dir("bad.flow"), &q.net, &q.train, &o, &next) == INVMAN_E_FORMAT && !next);
    bytes[k] ^= 0x21;
  }
  for (k = 16; k < size - 8; k += 8) { /* nonsense under a right checksum: an error or a flow that still steps */
    uint64_t hash, was;
    size_t j;
    memcpy(&was, bytes + k, 8);
    memset(bytes + k, 0xff, 8); /* a NaN, or a huge number */
    hash = invman_i_fnv(UINT64_C(0xcbf29ce484222325), bytes, size - 8);
    for (j = 0; j < 8; j++) bytes[size - 8 + j] = (unsigned char)(hash >> 8 * j & 255);
    write_bytes(in_test_dir("bad.flow"), bytes, size);
    if (invman_flow_resume(NULL, in_test_dir("bad.flow"), &other.net, &q.train, &o, &next) >= 0) CHECK(!"other shape");
    {
      invman_net fresh;
      memset(&fresh, 0, sizeof fresh);
      if (invman_flow_resume(NULL, in_test_dir("bad.flow"), &fresh, &q.train, NULL, &next) >= 0) {
        CHECK(invman_i_isfinite(next->info.dt) && next->info.lambda_max >= 0 && next->info.lambda_star >= 0);
        invman_flow_step(next);
        invman_flow_free(next);
      }
      invman_net_free(NULL, &fresh);
    }
    memcpy(bytes + k, &was, 8);
  }
  CHECK(same_net(&kept, &q.net)); /* a failed call leaves the network alone */

  CHECK(invman_i_held_reserve(invman_i_net_of(flow), 40) == INVMAN_OK); /* more points than can hold one neuron */
  for (k = 0; k < 17; k++)
    invman_i_net_of(flow)->held[k].n = 1, invman_i_net_of(flow)->held[k].i = k % 5,
    invman_i_net_of(flow)->held[k].gate = 0.5;
  invman_i_net_of(flow)->held_count = 17;
  CHECK(invman_flow_save(flow, in_test_dir("bad.flow")) == INVMAN_OK);
  CHECK(invman_flow_resume(&ctx, in_test_dir("bad.flow"), &q.net, &q.train, &o, &next) == INVMAN_E_FORMAT);

  CHECK(invman_flow_resume(&ctx, path, &q.net, &other.train, &o, &next) == INVMAN_E_ARG && strstr(error.what, "data"));
  CHECK(invman_flow_resume(&ctx, path, &other.net, &q.train, &o, &next) == INVMAN_E_ARG && strstr(error.what, "shape"));
  o.alpha = 1;
  CHECK(invman_flow_resume(&ctx, path, &q.net, &q.train, &o, &next) == INVMAN_E_ARG && strstr(error.what, "alpha"));
  o = no_options();
  o.loss = INVMAN_SOFT_HINGE;
  CHECK(invman_flow_resume(&ctx, path, &q.net, &q.train, &o, &next) == INVMAN_E_ARG);
  invman_net_free(NULL, &kept);
  CHECK(invman_net_load(&ctx, path, &kept) == INVMAN_E_FORMAT && error.place == 8); /* another kind */
  invman_flow_free(flow);
  free_problem(&q);
  free_problem(&other);
  free(bytes);
}

/* ---- memory */

static size_t held_most;
static int watch_held(const invman_flow_info *info, const invman_net *net, void *user) {
  (void)net;
  (void)user;
  held_most = invman_i_max(held_most, info->held);
  return 0;
}

static void flow_memory(void) { /* three copies of the weights, two records of each held pair, and O(p h_block) */
  size_t h = 20000, d = 20, p = 64;
  test_problem q = make_problem(INVMAN_STRIPE, d, p, h, 17);
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_flow_options o = no_options();
  double copy = (double)(h * (d + 2) * sizeof(double)), records;
  o.step_max = 30;
  o.report = watch_held;
  held_most = 0;
  CHECK(invman_train(&ctx, &q.net, &q.train, &o, NULL) == INVMAN_STOPPED);
  records = 2.2 * (double)(held_most * sizeof(invman_i_held)); /* a tenth more: groups are not equally full */
  CHECK((double)heap.peak < 3 * copy + records + (double)(4 * p * 512 * sizeof(double)));
  CHECK(heap.blocks == 0 && heap.now == 0);
  free_problem(&q);
}

static void everything(invman_context *ctx, invman_status *worst) { /* one call of each function that takes memory */
  invman_data_model model = a_model(INVMAN_CYLINDER, 3);
  invman_flow_options o = no_options();
  invman_data data, csv;
  invman_net net, copy, grad;
  invman_flow *flow, *again;
  invman_rng rng;
  double f[30];
  memset(&csv, 0, sizeof csv);
  memset(&net, 0, sizeof net);
  memset(&copy, 0, sizeof copy);
  memset(&grad, 0, sizeof grad);
  o.step_max = 12;
  o.d_par = 2;
#define TRY(call)                 \
  do {                            \
    invman_status s_ = (call);    \
    if (s_ < *worst) *worst = s_; \
  } while (0)
  invman_rng_seed(&rng, 1, 1);
  TRY(invman_data_sample(ctx, &model, 30, &rng, &data));
  TRY(invman_data_read_csv(ctx, in_test_dir("good.csv"), &csv));
  TRY(invman_net_init(ctx, 40, 3, &rng, &net));
  if (net.w && data.x) {
    TRY(invman_net_copy(ctx, &net, &copy));
    TRY(invman_net_eval(ctx, &net, data.x, 30, f));
    TRY(invman_net_gradient(ctx, &net, data.x, 30, data.y, &grad));
    TRY(invman_flow_create(ctx, &net, &data, &o, &flow));
    if (flow) {
      TRY(invman_flow_run(flow));
      TRY(invman_flow_run(flow)); /* after a failure, again */
      TRY(invman_flow_predict(flow, data.x, 30, f));
      TRY(invman_flow_save(flow, in_test_dir("e.flow")));
    }
    invman_flow_free(flow);
    TRY(invman_flow_resume(ctx, in_test_dir("good.flow"), &net, &data, &o, &again));
    invman_flow_free(again);
    TRY(invman_net_save(ctx, &net, in_test_dir("e.net")));
    invman_net_free(ctx, &copy);
    TRY(invman_net_load(ctx, in_test_dir("good.net"), &copy));
  }
  invman_data_free(ctx, &data);
  invman_data_free(ctx, &csv);
  invman_net_free(ctx, &net);
  invman_net_free(ctx, &copy);
  invman_net_free(ctx, &grad);
}

static void flow_any_allocation_may_fail(void) {
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_status worst = INVMAN_OK;
  size_t k, calls;
  write_bytes(in_test_dir("good.csv"), "1,2,3,1\n4,5,6,-1\n", 17);
  everything(&ctx, &worst); /* makes the files, but could not yet read them */
  rename(in_test_dir("e.flow"), in_test_dir("good.flow"));
  rename(in_test_dir("e.net"), in_test_dir("good.net"));
  CHECK(heap.blocks == 0 && heap.now == 0);
  heap.calls = 0;
  worst = INVMAN_OK;
  everything(&ctx, &worst);
  CHECK(worst == INVMAN_OK && heap.blocks == 0);
  calls = heap.calls;
  CHECK(calls > 50);
  for (k = 1; k <= calls; k++) {
    heap.calls = 0;
    heap.budget = k;
    worst = INVMAN_OK;
    everything(&ctx, &worst);
    CHECK(worst == INVMAN_E_NOMEM);
    CHECK(heap.blocks == 0 && heap.now == 0);
  }
}

/* Near the end no step's error is larger than 0.3 of what the lowest margin lacks: without that the end's time moves by
   some per cent with the tolerance. Networks, and models, whose points all count. */
static void flow_errors_near_the_end(void) {
  uint64_t seed;
  for (seed = 1; seed <= 6; seed++) {
    test_problem q = make_problem(seed % 2 ? INVMAN_STRIPE : INVMAN_CYLINDER, 3, 60, 100, seed);
    invman_flow_options o = no_options();
    invman_flow *flow;
    size_t capped = 0, i;
    o.alpha = seed % 3 ? 1e-6 : 1;
    o.margin_tol = 0.3;
    CHECK(invman_flow_create(NULL, &q.net, &q.train, &o, &flow) == INVMAN_OK);
    do {
      double left = fmax(1 - flow->info.margin_min, 2e-3), allowed = fmin(0.3, 0.3 * left), worst = 0;
      if (invman_flow_step(flow) < 0) break;
      for (i = 0; i < q.train.n; i++)
        if (flow->batch.nearby[i] != INVMAN_I_FAR) worst = fmax(worst, fabs(flow->margin[i] - flow->predicted[i]));
      CHECK(worst <= allowed * (1 + 1e-12));
      capped += left < 0.5;
    } while (flow->info.end == INVMAN_END_NONE && flow->info.step < 3000);
    CHECK(flow->info.end == INVMAN_END_SATISFIED && capped > 0);
    invman_flow_free(flow);
    free_problem(&q);
  }
}

static void flow_tests(void) {
  RUN(flow_errors_near_the_end);
  RUN_LONG(flow_golden, 300);
  RUN(flow_first_step_by_hand);
  RUN(flow_clock_stops_at_rest);
  RUN(flow_rates_are_slopes);
  RUN(flow_conserves);
  RUN(flow_predicts);
  RUN(flow_invariances);
  RUN_LONG(flow_same_bits_for_any_threads, 300);
  RUN(flow_vector_paths_agree);
  RUN(flow_held_z_is_the_sweeps);
  RUN(flow_held_sums);
  RUN(flow_gates_are_consistent);
  RUN(flow_every_end);
  RUN(flow_reach);
  RUN(flow_far_points);
  RUN(flow_few_steps_are_rejected);
  RUN(flow_relative_tol);
  RUN(flow_all_regimes);
  RUN(flow_single_sweeps);
  RUN(flow_single);
  RUN(flow_single_ends_in_double);
  RUN_LONG(flow_resumes_to_the_same_bits, 300);
  RUN(flow_limits_may_change);
  RUN_LONG(flow_file_refused, 300);
  RUN_LONG(flow_memory, 300);
  RUN(flow_any_allocation_may_fail);
}
