/* The theory of the stripe model: golden values, quadrature, limits, the attractors of the paper. */

static void theory_golden(void) {
  const char *path = GOLDEN "theory.txt";
  double *edges = golden(path, "interfaces", 2), *zeta = golden(path, "zeta", 11), *t = golden(path, "ode_t", 13);
  double *plus[2], *minus[2], *ode = golden(path, "ode", 52), states[52], c1, cb;
  size_t i;
  plus[0] = golden(path, "C1_plus", 11), plus[1] = golden(path, "Cb_plus", 11);
  minus[0] = golden(path, "C1_minus", 11), minus[1] = golden(path, "Cb_minus", 11);
  for (i = 0; i < 11; i++) {
    invman_stripe_integrals(edges, 2, zeta[i], 1, &c1, &cb);
    CLOSE(c1, plus[0][i], 1e-14);
    CLOSE(cb, plus[1][i], 1e-14);
    invman_stripe_integrals(edges, 2, zeta[i], -1, &c1, &cb);
    CLOSE(c1, minus[0][i], 1e-14);
    CLOSE(cb, minus[1][i], 1e-14);
  }
  CHECK(invman_stripe_neuron_ode(NULL, edges, 2, 4, ode, t, 13, states) == INVMAN_OK);
  CLOSE(largest_difference(states, ode, 52), 0, 1e-8);
  for (i = 0; i < 2; i++) free(plus[i]), free(minus[i]);
  free(edges), free(zeta), free(t), free(ode);
}

/* <y x_1 1>, <y x_perp 1>, <y 1> by the midpoint rule in x_1 between interfaces, the other direction in closed form. */
static void plain_averages(const double *edges, size_t count, size_t d, const double *w, double *mean) {
  enum { STEPS = 20000 };
  const double pi = 3.14159265358979323846;
  size_t j, k;
  mean[0] = mean[1] = mean[2] = 0;
  for (j = 0; j <= count; j++) {
    double low = j == 0 ? -9 : edges[j - 1], high = j == count ? 9 : edges[j], y = j % 2 ? -1 : 1;
    for (k = 0; k < STEPS; k++) {
      double x = low + (high - low) * ((double)k + 0.5) / STEPS, weight = (high - low) / STEPS;
      double u = (w[0] * x + sqrt((double)d) * w[2]) / w[1];
      weight *= y * exp(-0.5 * x * x) / sqrt(2 * pi);
      mean[0] += weight * x * 0.5 * erfc(-u / sqrt(2.0));
      mean[1] += weight * exp(-0.5 * u * u) / sqrt(2 * pi);
      mean[2] += weight * 0.5 * erfc(-u / sqrt(2.0));
    }
  }
}

static void theory_averages(void) { /* any weights, any number of interfaces, against quadrature */
  static const double edges[5] = {-1.3, -0.4, 0, 0.9, 2.1};
  invman_rng rng;
  size_t trial, k;
  invman_rng_seed(&rng, 3, 7);
  for (trial = 0; trial < 60; trial++) {
    size_t count = 1 + trial % 5, d = 2 + trial % 7;
    double w[3], mean[3], plain[3];
    for (k = 0; k < 3; k++) w[k] = invman_rng_normal(&rng) * (trial % 3 == k ? 3 : 1);
    w[1] = fabs(w[1]) + 0.05; /* the quadrature's steps resolve that */
    if (trial % 11 == 0) w[2] = 0;
    if (trial % 13 == 0) w[0] = 0;
    invman_stripe_averages(edges, count, d, w[0], w[1], w[2], mean);
    plain_averages(edges, count, d, w, plain);
    for (k = 0; k < 3; k++) CLOSE(mean[k], plain[k], 1e-7);
  }
}

static void theory_limits(void) {
  double mean[3], near[3], c1, cb, zeta;
  size_t k;
  for (zeta = -2.05; zeta < 2.1; zeta += 0.5) { /* omega_perp -> 0 is C_1, C_b; the scale of the weights is nothing */
    int sign;
    for (sign = -1; sign <= 1; sign += 2) {
      invman_stripe_integrals(NULL, 0, zeta, sign, &c1, &cb);
      invman_stripe_averages(NULL, 0, 4, 3.0 * sign, 0, -3.0 * sign * zeta / 2, mean);
      CLOSE(mean[0], c1, 1e-15);
      CLOSE(mean[2], cb, 1e-15);
      CHECK(mean[1] == 0);
      invman_stripe_averages(NULL, 0, 4, 3.0 * sign, 1e-7, -3.0 * sign * zeta / 2, near);
      CLOSE(near[1] / (1e-7 / 3), invman_i_density(zeta) * invman_stripe_label(NULL, 0, zeta), 1e-6);
      for (k = 0; k < 3; k += 2) CLOSE(near[k], mean[k], 1e-7);
    }
  }
  invman_stripe_averages(NULL, 0, 4, 0, 0, 1, mean); /* active everywhere: balanced labels, no direction across */
  CLOSE(mean[2], 0, 1e-15);
  CLOSE(mean[0], -0.36758, 1e-4); /* E[y x_1] */
  invman_stripe_averages(NULL, 0, 4, 0, 0, -1, mean);
  CHECK(mean[0] == 0 && mean[1] == 0 && mean[2] == 0);
  CHECK(invman_stripe_label(NULL, 0, -1) == 1 && invman_stripe_label(NULL, 0, 0) == -1);
  CHECK(invman_stripe_label(NULL, 0, 2) == 1 && invman_stripe_label(NULL, 0, -0.3) == 0);
}

static void theory_binormal(void) { /* closed forms, and every corner where the formula changes */
  const double pi = 3.14159265358979323846;
  double h, rho;
  for (rho = -0.99; rho < 1; rho += 0.09) {
    double root = sqrt(1 - rho * rho);
    CLOSE(invman_i_binormal(0, 0, rho, root), 0.25 + asin(rho) / (2 * pi), 1e-15);
    for (h = -3; h <= 3; h += 0.5) {
      double k = 0.7;
      CLOSE(invman_i_binormal(h, k, rho, root) + invman_i_binormal(h, -k, -rho, root), invman_i_normal(h), 5e-16);
      CLOSE(invman_i_binormal(h, k, rho, root), invman_i_binormal(k, h, rho, root), 5e-16);
      CLOSE(invman_i_binormal(h, 0, rho, root) + invman_i_binormal(h, 0, -rho, root), invman_i_normal(h), 5e-16);
    }
  }
  for (h = -3; h <= 3; h += 0.5) {
    CLOSE(invman_i_binormal(h, 0.2, 0, 1), invman_i_normal(h) * invman_i_normal(0.2), 1e-15);
    CLOSE(invman_i_binormal(h, 0.2, 1, 0), fmin(invman_i_normal(h), invman_i_normal(0.2)), 1e-16);
    CLOSE(invman_i_binormal(h, 0.2, -1, 0), fmax(0, invman_i_normal(h) - invman_i_normal(-0.2)), 1e-16);
  }
  CLOSE(invman_i_owen(0.5, 1), 0.5 * invman_i_normal(0.5) * invman_i_normal(-0.5), 1e-16);
  CLOSE(invman_i_owen(0, 2), atan(2.0) / (2 * pi), 1e-16);
}

static void theory_attractors(void) { /* the paper's stripe, in four dimensions: z, sign, C_1 and tau-star/tau */
  static const double edges[2] = {-0.3, 1.18549};
  static const double wanted[4][4] = {{2, -1.226204, 0.646638, 0.450044},
                                      {3, -1.335508, 0.666273, 0.508226},
                                      {5, -1.480486, 0.684828, 0.570493},
                                      {10, -1.687013, 0.701004, 0.632814}};
  static const double more[3][2] = {{-0.179513, 4.2088}, {0.071475, 12.724}, {-0.402256, 2.3689}}; /* d = 2 */
  invman_fixed_point f[8];
  size_t k, i, found;
  for (k = 0; k < 4; k++) {
    CHECK(invman_stripe_fixed_points(edges, 2, (size_t)wanted[k][0], f, 8, &found) == INVMAN_OK && found == 3);
    for (i = 0; i < 3; i++) {
      CLOSE(f[i].z, wanted[k][i + 1], 1e-6);
      CHECK(f[i].sign == (i < 2 ? 1 : -1));
      if (k > 0) continue;
      CLOSE(f[i].c1, more[i][0], 1e-6);
      CLOSE(f[i].time, more[i][1], 1e-4 * more[i][1]);
    }
  }
  CHECK(invman_stripe_fixed_points(NULL, 0, 2, f, 1, &found) == INVMAN_OK && found == 3);
  CHECK(invman_stripe_fixed_points(NULL, 0, 2, NULL, 0, &found) == INVMAN_OK && found == 3);
}

static void theory_neurons_go_there(void) { /* by Eq. (5): what grows is at a fixed point, at its rate */
  enum { D = 3 };
  const double tau = sqrt(D / 2.0);
  invman_fixed_point f[8];
  invman_rng rng;
  size_t trial, i, found, reached = 0;
  invman_rng_seed(&rng, 1, 1);
  CHECK(invman_stripe_fixed_points(NULL, 0, D, f, 8, &found) == INVMAN_OK);
  for (trial = 0; trial < 40; trial++) {
    double start[4], t[2], states[8];
    for (i = 0; i < 4; i++) start[i] = invman_rng_normal(&rng);
    start[1] = fabs(start[1]);
    t[0] = 120 * tau;
    t[1] = 121 * tau;
    CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, D, start, t, 2, states) == INVMAN_OK);
    CLOSE(states[3] * states[3] - states[0] * states[0] - states[1] * states[1] - states[2] * states[2],
          start[3] * start[3] - start[0] * start[0] - start[1] * start[1] - start[2] * start[2],
          1e-7 * states[3] * states[3]);
    if (fabs(states[3]) < 50) continue; /* far out, next to no data pulls */
    for (i = 0; i < found; i++) {
      double square = states[4] * states[4] + states[5] * states[5];
      double z = -sqrt((double)D) * states[6] * states[4] / square;
      if (fabs(z - f[i].z) > 1e-2 || (states[4] > 0) != (f[i].sign > 0)) continue;
      CLOSE(log(states[4] / states[0]) * f[i].time, 1, 1e-3);
      break;
    }
    CHECK(i < found);
    reached++;
  }
  CHECK(reached >= 30);
}

static void theory_noisy_ode(void) {
  enum { D = 4 };
  double start[D + 2] = {0.5, 0.3, -0.4, 0.2, -0.1, 1.1}, four[4], t[3] = {0, 2.5, 7}, noise[D + 1] = {0, 0, 0, 0, 0};
  double states[3 * (D + 2)], plain[12];
  size_t k, i;
  four[0] = 0.5, four[1] = sqrt(0.09 + 0.16 + 0.04), four[2] = -0.1, four[3] = 1.1;
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, D, four, t, 3, plain) == INVMAN_OK);
  CHECK(invman_stripe_noisy_ode(NULL, NULL, 0, D, start, noise, t, 3, states) == INVMAN_OK);
  CHECK(same_bits(states, start, D + 2));
  for (k = 0; k < 3; k++) { /* without noise, the direction across stays and its norm is Eq. (5)'s */
    const double *s = states + k * (D + 2), *p = plain + 4 * k;
    CLOSE(s[0], p[0], 1e-8);
    for (i = 1; i < D; i++) CLOSE(s[i], p[1] * start[i] / four[1], 1e-8);
    CLOSE(s[4], p[2], 1e-8);
    CLOSE(s[5], p[3], 1e-8);
  }
  t[1] = 1e-5; /* the noise's own slopes, at the start */
  CHECK(invman_stripe_noisy_ode(NULL, NULL, 0, D, start, noise, t, 2, states) == INVMAN_OK);
  for (k = 0; k <= D; k++) {
    double changed[2 * (D + 2)];
    noise[k] = 0.01;
    CHECK(invman_stripe_noisy_ode(NULL, NULL, 0, D, start, noise, t, 2, changed) == INVMAN_OK);
    noise[k] = 0;
    CLOSE((changed[D + 2 + k] - states[D + 2 + k]) / 1e-5, 1.1 / sqrt(D / 2.0) * 0.01 * (k == D ? 2 : 1), 1e-6);
  }
}

static void theory_noise(void) { /* by hand, and of the size 1/sqrt(p) */
  double x[6] = {1, 5, -1, 7, 2, 11}, y[3] = {1, -1, -1}, noise[6], c1, cb, size;
  invman_data data;
  test_problem q = make_problem(INVMAN_STRIPE, 5, 20000, 1, 2);
  size_t k;
  data.n = 3, data.d = 2, data.x = x, data.y = y;
  invman_stripe_integrals(NULL, 0, 0, 1, &c1, &cb);
  invman_stripe_noise(&data, NULL, 0, 0, 1, noise);
  CLOSE(noise[0], (1 - 2) / 3.0 - c1, 1e-15);
  CLOSE(noise[1], (5 - 11) / 3.0, 1e-15);
  CLOSE(noise[2], -cb, 1e-15);
  invman_stripe_noise(&data, NULL, 0, 0, -1, noise);
  CLOSE(noise[1], -7 / 3.0, 1e-15);
  /* Fluctuations of 20000 points: each within four deviations, sqrt(<x_k^2 Theta>/p) at most; not all of them tiny. */
  invman_stripe_noise(&q.train, NULL, 0, 0.5, 1, noise);
  size = sqrt(0.30854 / 20000); /* D_perp = P(x_1 > 0.5) */
  for (k = 1; k <= 5; k++) CHECK(fabs(noise[k]) < 4 * size);
  CHECK(fabs(noise[0]) < 4 * sqrt(0.5 / 20000));
  CHECK(invman_i_inner(noise, noise, 6) > 0.1 * size * size);
  free_problem(&q);
}

static void theory_equiprobable(void) {
  CLOSE(invman_equiprobable_x_max(-0.3), 1.18549233272327254, 1e-15);
  CLOSE(invman_equiprobable_x_max(-40), 0, 1e-15);
  CHECK(invman_equiprobable_x_max(0) > 1e300 && invman_equiprobable_x_max(1) > 1e300);
  CLOSE(invman_equiprobable_radius(2), sqrt(2 * log(2.0)), 1e-15);
  CLOSE(invman_equiprobable_radius(1), 0.67448975019608174, 1e-14);
  CLOSE(invman_equiprobable_radius(3), 1.5381722544550522, 1e-14); /* chi_3's median */
}

static void theory_bad_input(void) {
  double start[4] = {1, 1, 1, 1}, t[2] = {1, 0.5}, states[8], edges[2] = {1, 1};
  invman_fixed_point f;
  size_t found;
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 0, start, t, 1, states) == INVMAN_E_ARG);
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 3, NULL, t, 1, states) == INVMAN_E_ARG);
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 3, start, t, 2, states) == INVMAN_E_ARG);
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 3, start, NULL, 0, NULL) == INVMAN_OK);
  t[0] = -1;
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 3, start, t, 1, states) == INVMAN_E_ARG);
  start[2] = NAN;
  CHECK(invman_stripe_neuron_ode(NULL, NULL, 0, 3, start, t, 0, states) == INVMAN_E_NONFINITE);
  CHECK(invman_stripe_fixed_points(NULL, 0, 2, &f, 1, NULL) == INVMAN_E_ARG);
  CHECK(invman_stripe_fixed_points(NULL, 0, 0, &f, 1, &found) == INVMAN_E_ARG);
  CHECK(invman_stripe_fixed_points(edges, 2, 2, &f, 1, &found) == INVMAN_E_ARG);
  edges[1] = HUGE_VAL;
  CHECK(invman_stripe_fixed_points(edges, 2, 2, &f, 1, &found) == INVMAN_E_NONFINITE);
  CHECK(invman_stripe_fixed_points(edges, 0, 2, &f, 1, &found) == INVMAN_E_ARG);
}

static void theory_tests(void) {
  RUN(theory_golden);
  RUN(theory_averages);
  RUN(theory_limits);
  RUN(theory_binormal);
  RUN(theory_attractors);
  RUN(theory_neurons_go_there);
  RUN(theory_noisy_ode);
  RUN(theory_noise);
  RUN(theory_equiprobable);
  RUN(theory_bad_input);
}
