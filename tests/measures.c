/* What measures must not depend on: the unit of what is measured, and what all of it has in common. And bounds that
   rounding must not break. */

/* ---- units: inputs times powers of two; the results, back in the old unit, are the same bits, or where logarithms of
   other numbers are taken nearly so */

typedef struct unit_case {
  const char *name;
  /* Of inputs times 2^p, and of the others times 2^q; writes results in the old unit and returns their count. */
  size_t (*measure)(int p, int q, double *out);
  int most;     /* largest |p| and |q| that inputs and results survive: 1022 less the exponents that they have */
  double close; /* how near, in proportion to a result; 0: the same bits */
} unit_case;

static int unit_p, unit_q; /* what is compared: results that are no numbers in these units are left out */

enum { UNIT_N = 12, UNIT_D = 3, UNIT_H = 20, UNIT_OUT = 4000 };

static size_t unit_lost; /* calls that did not end well */

static void unit_need(invman_status status) { unit_lost += status != INVMAN_OK; }

static void unit_scale(double *x, size_t n, int p) {
  size_t i;
  for (i = 0; i < n; i++) x[i] = ldexp(x[i], p);
}

/* n results of degree 2^p */
static size_t unit_put(double *out, const double *x, size_t n, int p) {
  size_t i;
  for (i = 0; i < n; i++) out[i] = ldexp(x[i], -p);
  return n;
}

static size_t unit_spectrum(int p, int q, double *out) { /* negative ones count as 0, however large */
  double lambda[6] = {3, 1, 0.25, 1e-3, -0.7, -1e-9};
  invman_spectrum s;
  size_t at = 0;
  int singular;
  unit_scale(lambda, 4, p), unit_scale(lambda + 4, 2, q);
  for (singular = 0; singular < 2; singular++) {
    unit_need(invman_spectral_measures(NULL, lambda, 6, singular, 0, &s));
    at += unit_put(out + at, &s.sum, 1, p);
    out[at++] = s.entropy, out[at++] = s.effective_rank, out[at++] = s.participation_ratio;
    out[at++] = s.stable_rank, out[at++] = s.anisotropy, out[at++] = (double)s.rank;
  }
  lambda[0] = invman_unexplained_area(lambda, 6, 3);
  return at + unit_put(out + at, lambda, 1, p);
}

static size_t unit_kernel(int p, int q, double *out) { /* K times 2^p, y times 2^q */
  diag_kernel k = diag_make_kernel(UNIT_N, UNIT_D + 9, 301);
  double C[UNIT_N * UNIT_N], o[UNIT_N * UNIT_N], one;
  size_t n = UNIT_N, at = 0, used;
  memcpy(C, k.K, sizeof C);
  unit_scale(k.K, n * n, p), unit_scale(k.lambda, n, p), unit_scale(C, n * n, p), unit_scale(k.y, n, q);
  unit_need(invman_ridge_leverage(NULL, k.lambda, k.U, n, ldexp(0.3, p), out + at, out + at + n)), at += n + 1;
  unit_need(invman_target_alignment(NULL, k.K, k.y, n, out + at)), at++;
  unit_need(invman_cumulative_power(NULL, k.U, k.y, n, out + at)), at += n;
  if (abs(2 * unit_q - unit_p) < 1000) {
    unit_need(invman_rkhs_norm(NULL, k.lambda, k.U, k.y, n, 0, &one, &used));
    at += unit_put(out + at, &one, 1, 2 * q - p), out[at++] = (double)used;
  }
  unit_need(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, n, 5, ldexp(0.1, p), C, n, o));
  at += unit_put(out + at, o, n, q);
  unit_need(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, n, n, 0, C, n, o));
  at += unit_put(out + at, o, n, q);
  unit_need(invman_nystrom_extension(NULL, k.lambda, k.U, n, 4, C, n, out + at)), at += 4 * n;
  diag_free_kernel(&k);
  return at;
}

static size_t unit_kernels(int p, int q, double *out) { /* K times 2^p, L times 2^q */
  diag_kernel k = diag_make_kernel(UNIT_N, UNIT_D, 302), l = diag_make_kernel(UNIT_N, UNIT_D + 1, 303);
  double lambda[2], phi[2 * UNIT_N];
  size_t n = UNIT_N, at = 0;
  invman_collapse c;
  unit_scale(k.K, n * n, p), unit_scale(l.K, n * n, q);
  unit_need(invman_centred_alignment(NULL, k.K, l.K, n, 0, out + at)), at++;
  unit_need(invman_centred_alignment(NULL, k.K, l.K, n, 2, out + at)), at++;
  unit_need(invman_neural_collapse(NULL, k.K, k.y, n, &c));
  at += unit_put(out + at, &c.within, 1, p), at += unit_put(out + at, &c.between, 1, p);
  out[at++] = c.nc1_trace, out[at++] = c.nc1, out[at++] = c.nc2_norms, out[at++] = c.nc2_angles;
  out[at++] = c.uncentred_cosine, out[at++] = c.nearest_mean_error;
  unit_need(invman_intrinsic_dimension(NULL, k.K, n, out + at, out + at + 1)), at += 2;
  out[at++] = (double)invman_duplicates(k.K, n);
  unit_need(invman_centred_singular_values(NULL, k.K, n, phi));
  at += unit_put(out + at, phi, n, p);
  unit_need(invman_kernel_pca(NULL, k.K, l.y, n, 2, lambda, phi, out + at)), at += 2;
  at += unit_put(out + at, lambda, 2, p), at += unit_put(out + at, phi, 2 * n, 0);
  diag_free_kernel(&k), diag_free_kernel(&l);
  return at;
}

static size_t unit_roots(int p, int q, double *out) { /* of K times 2^2p */
  diag_kernel k = diag_make_kernel(UNIT_N, UNIT_D, 304);
  double D[UNIT_N * UNIT_N];
  size_t n = UNIT_N, at = 0;
  (void)q;
  unit_scale(k.K, n * n, 2 * p);
  unit_need(invman_von_neumann_entropy(NULL, k.K, n, out)), at++;
  unit_need(invman_kernel_distances(NULL, k.K, n, D));
  at += unit_put(out + at, D, n * n, p);
  diag_free_kernel(&k);
  return at;
}

static size_t unit_subspaces(int p, int q, double *out) { /* U times 2^p, V and points times 2^q */
  double *U = normals(2 * 5, 305), *V = normals(UNIT_N * 5, 306), norm[UNIT_N], residual[UNIT_N];
  invman_angles a;
  size_t at = 2;
  unit_scale(U, 10, p), unit_scale(V, UNIT_N * 5, q);
  unit_need(invman_principal_angles(NULL, U, 2, V, 3, 5, out, &a));
  out[at++] = a.largest, out[at++] = a.geodesic, out[at++] = a.chordal, out[at++] = a.projection, out[at++] = a.overlap;
  unit_need(invman_subspace_norms(NULL, U, 2, 5, V, UNIT_N, norm, abs(unit_q) < 500 ? residual : NULL));
  at += unit_put(out + at, norm, UNIT_N, q);
  if (abs(unit_q) < 500) at += unit_put(out + at, residual, UNIT_N, 2 * q);
  free(U), free(V);
  return at;
}

static size_t unit_traces(int p, int q, double *out) { /* the informative part times 2^2p, the other 2^2q */
  double C[16] = {3, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0.125}, root;
  size_t i;
  for (i = 0; i < 4; i++) C[i * 5] = ldexp(C[i * 5], 2 * (i < 2 ? p : q));
  root = invman_metric_amplification(C, 4, 2);
  return unit_put(out, &root, 1, p - q);
}

static size_t unit_network(int p, int q, double *out) { /* weights times 2^p, points times 2^q, biases their product */
  double o[UNIT_N * UNIT_D * UNIT_D], log_volume[UNIT_N];
  size_t n = UNIT_N, d = UNIT_D, at = 0, count, i;
  int bias;
  for (bias = 0; bias < 2; bias++) {
    invman_net net = diag_net(UNIT_H, UNIT_D, 307);
    invman_data data = diag_data(INVMAN_STRIPE, UNIT_D, UNIT_N, 308);
    if (bias && abs(unit_p + unit_q) < 1000) unit_scale(net.b, UNIT_H, p + q);
    else memset(net.b, 0, UNIT_H * sizeof(double)); /* there is no such number */
    unit_scale(net.w, UNIT_H * d, p), unit_scale(data.x, n * d, q);
    unit_need(invman_input_gradient(NULL, &net, data.x, n, o));
    at += unit_put(out + at, o, n * d, p);
    memset(out + at, 0, UNIT_H * sizeof(double));
    unit_need(invman_linear_regions(NULL, &net, data.x, data.x + d, out + at, &count)), at += UNIT_H;
    out[at++] = (double)count;
    unit_need(invman_activation_patterns(NULL, &net, data.x, n, &count));
    out[at++] = (double)count;
    unit_need(invman_pullback_metric(NULL, &net, data.x, n, 1, NULL, log_volume, out + at)), at += n;
    for (i = 0; i < n; i++) out[at++] = log_volume[i] - p * (double)d * log(2.0);
    if (abs(unit_p) < 500) {
      unit_need(invman_pullback_metric(NULL, &net, data.x, n, 1, o, NULL, NULL));
      at += unit_put(out + at, o, n * d * d, 2 * p);
    }
    invman_net_free(NULL, &net), invman_data_free(NULL, &data);
  }
  return at;
}

static size_t unit_covariance(int p, int q, double *out) { /* weights times 2^p, beta times 2^q */
  invman_net net = diag_net(UNIT_H, UNIT_D, 313);
  invman_data data = diag_data(INVMAN_STRIPE, UNIT_D, UNIT_N, 314);
  double o[UNIT_D * UNIT_D], *grad = normals(UNIT_N * UNIT_D, 309), g[UNIT_N], rate[UNIT_H], v[UNIT_H * (UNIT_D + 1)];
  size_t at = 0, d = UNIT_D, i;
  for (i = 0; i < UNIT_N; i++) g[i] = ldexp(1.0 / (double)(1 + i), p); /* of the pushes, rates are linear */
  unit_need(invman_hessian_spectrum(NULL, &net, &data, g, rate, v));
  at += unit_put(out + at, rate, UNIT_H, p), at += unit_put(out + at, v, UNIT_H * (d + 1), p);
  unit_scale(net.w, UNIT_H * d, p), unit_scale(net.beta, UNIT_H, q);
  if (abs(unit_p) < 500 && abs(unit_q) < 500 && abs(unit_p + unit_q) < 500) {
    unit_need(invman_weight_covariance(NULL, &net, 0, o));
    at += unit_put(out + at, o, d * d, 2 * p);
    unit_need(invman_weight_covariance(NULL, &net, 1, o));
    at += unit_put(out + at, o, d * d, 2 * (p + q));
  }
  unit_scale(grad, UNIT_N * d, p);
  unit_need(invman_active_subspace(NULL, grad, UNIT_N, d, 0, NULL, NULL, o, NULL));
  at += unit_put(out + at, o, d * d, 0);
  if (abs(unit_p) < 500) {
    double C[UNIT_D * UNIT_D], lambda[UNIT_D], activity[UNIT_D];
    unit_need(invman_active_subspace(NULL, grad, UNIT_N, d, 2, C, lambda, o, activity));
    at += unit_put(out + at, C, d * d, 2 * p), at += unit_put(out + at, lambda, d, 2 * p);
    at += unit_put(out + at, activity, d, 2 * p), at += unit_put(out + at, o, d * d, 0);
  }
  invman_net_free(NULL, &net), invman_data_free(NULL, &data), free(grad);
  return at;
}

static size_t unit_distances(int p, int q, double *out) { /* points times 2^p; the last one times 2^q */
  enum { N = 70 };
  double *x = normals(N * UNIT_D, 310), *D = (double *)malloc(N * N * sizeof(double)), one;
  size_t at = 0, n = N - 1, i, j;
  unit_scale(x, n * UNIT_D, p), unit_scale(x + n * UNIT_D, UNIT_D, q);
  unit_need(invman_point_distances(NULL, x, N, UNIT_D, D));
  for (i = 0; i < 9; i++) at += unit_put(out + at, D + i * N, 9, p);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) D[i * n + j] = D[i * N + j]; /* without the last one */
  unit_need(invman_median_distance(NULL, D, n, &one));
  at += unit_put(out + at, &one, 1, p);
  unit_need(invman_mst_length(NULL, D, n, &one));
  at += unit_put(out + at, &one, 1, p);
  unit_need(invman_mst_dimension(NULL, D, n, out + at)), at++;
  unit_need(invman_two_nn(NULL, D, n, INVMAN_TWO_NN_MLE, out + at)), at++;
  unit_need(invman_two_nn(NULL, D, n, INVMAN_TWO_NN_FIT, out + at)), at++;
  unit_need(invman_diffusion_entropy(NULL, D, n, ldexp(0.6, p), 1, out + at)), at++;
  free(x), free(D);
  return at;
}

static size_t unit_mixing(int p, int q, double *out) {
  double *G = normals(25, 311), *v = normals(UNIT_N, 312), M[25];
  invman_sinkhorn_info info;
  size_t at = 0;
  (void)q;
  unit_scale(G, 25, p);
  unit_need(invman_sinkhorn(NULL, G, 5, ldexp(0.4, p), 0, 0, out, &info)), at += 25;
  out[at++] = info.residual, out[at++] = (double)info.sweeps;
  unit_need(invman_centred_singular_values(NULL, G, 5, M));
  at += unit_put(out + at, M, 5, p);
  unit_scale(v, UNIT_N, p);
  memcpy(out + at, v, UNIT_N * sizeof *v), invman_layer_norm(out + at, UNIT_N, 0), at += UNIT_N;
  if (abs(unit_p) < 500)
    memcpy(out + at, v, UNIT_N * sizeof *v), invman_layer_norm(out + at, UNIT_N, ldexp(0.3, 2 * p)), at += UNIT_N;
  out[at++] = invman_snr(ldexp(3, p), ldexp(0.7, p), 9);
  out[at++] = invman_cosine_bound(ldexp(3, p), ldexp(7, p), 99, 1);
  free(G), free(v);
  return at;
}

static const unit_case unit_cases[] = {
    {"spectrum", unit_spectrum, 1000, 0},   {"kernel and labels", unit_kernel, 990, 0},
    {"kernels", unit_kernels, 980, 0},      {"roots of kernels", unit_roots, 490, 0},
    {"subspaces", unit_subspaces, 1000, 0}, {"traces", unit_traces, 500, 0},
    {"network", unit_network, 990, 1e-12},  {"covariance", unit_covariance, 990, 0},
    {"distances", unit_distances, 1000, 0}, {"mixing", unit_mixing, 1000, 0},
};

static void measures_in_any_unit(void) {
  static const int powers[][2] = {{500, 0},     {-500, 0},  {0, 500},     {0, -500},   {498, -498},
                                  {-498, 498},  {40, 40},   {-301, 299},  {700, -700}, {-700, 650},
                                  {-600, -600}, {620, 640}, {980, 0},     {-980, 0},   {0, 980},
                                  {0, -980},    {990, 990}, {-990, -990}, {10, -900},  {-10, 900}};
  double *plain = (double *)malloc(UNIT_OUT * sizeof(double)), *scaled = (double *)malloc(UNIT_OUT * sizeof(double));
  size_t c, k, i, n, m;
  for (c = 0; c < sizeof unit_cases / sizeof *unit_cases; c++) {
    const unit_case *u = &unit_cases[c];
    for (k = 0; k < sizeof powers / sizeof *powers; k++) {
      unit_p = powers[k][0], unit_q = powers[k][1];
      if (abs(unit_p) > u->most || abs(unit_q) > u->most) continue;
      unit_lost = 0;
      n = u->measure(0, 0, plain), m = u->measure(unit_p, unit_q, scaled);
      CHECK(unit_lost == 0 && n == m && n <= UNIT_OUT);
      for (i = 0; i < n && fabs(plain[i] - scaled[i]) <= u->close * fabs(plain[i]); i++) continue;
      if (unit_lost > 0 || i < n)
        test_fail(__FILE__, __LINE__, "%s, 2^%d and 2^%d: %lu refused; result %lu of %lu is %.17g, wanted %.17g",
                  u->name, unit_p, unit_q, (unsigned long)unit_lost, (unsigned long)i, (unsigned long)n,
                  i < n ? scaled[i] : 0, i < n ? plain[i] : 0);
    }
  }
  free(plain), free(scaled);
}

/* ---- what all have in common */

static const double common_sizes[5] = {0, 1e3, 1073741824, 1e12, 1125899906842624}; /* 0 .. 2^50 */

/* Integers a_ij below 8 in size plus u_i + v_j: no rounding where these are up to 2^50. */
static void common_add(double *A, size_t n, double u, double v) {
  size_t i, j;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) A[i * n + j] += u * (double)(i % 3) - v * (double)(j * j % 5);
}

static double *common_integers(size_t n, uint64_t seed) {
  double *A = (double *)malloc(n * n * sizeof(double));
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, seed, 1);
  for (i = 0; i < n * n; i++) A[i] = (double)invman_i_below(&rng, 8) - 3;
  return A;
}

/* What sinkhorn says of M is what M is, and no more. */
static invman_status honest_sinkhorn(const double *G, size_t n, double tau, size_t sweeps, double *M) {
  invman_sinkhorn_info info;
  invman_mixing m;
  invman_status status = invman_sinkhorn(NULL, G, n, tau, 0, sweeps, M, &info);
  CHECK(status == INVMAN_OK || status == INVMAN_NOT_CONVERGED);
  CLOSE(info.residual, diag_residual(M, n), 1e-14);
  CHECK(info.residual == invman_i_stochastic_residual(M, n)); /* to the last digit */
  CHECK((status == INVMAN_OK) == (info.residual < 1e-12));
  if (status == INVMAN_OK && n > 1) CHECK(invman_mixing_measures(NULL, M, n, &m) == INVMAN_OK && m.residual < 1.1e-12);
  return status;
}

static void measures_sinkhorn_keeps_no_offsets(void) {
  static const size_t ns[4] = {2, 5, 12, 32};
  size_t k, a, b, seed, i, n;
  for (k = 0; k < 4; k++)
    for (seed = 0; seed < 3; seed++) {
      double *G, *A, *M, *B;
      n = ns[k], G = common_integers(n, 400 + seed), A = (double *)malloc(n * n * sizeof(double));
      M = (double *)malloc(n * n * sizeof(double)), B = (double *)malloc(n * n * sizeof(double));
      for (i = 0; seed == 0 && i < n * n; i++) G[i] = (double)((7 * (i / n) + 3 * (i % n)) % 5);
      for (i = 0; seed == 2 && i < n * n; i++) /* with zeros, in a pattern that is symmetric */
        if (i / n != i % n && (i / n + i % n) % 3 == 0) G[i] = -HUGE_VAL;
      CHECK(honest_sinkhorn(G, n, 1.5, 0, M) == INVMAN_OK);
      for (a = 0; a < 5; a++)
        for (b = 0; b < 5; b++) {
          memcpy(A, G, n * n * sizeof(double)), common_add(A, n, common_sizes[a], common_sizes[b]);
          CHECK(honest_sinkhorn(A, n, 1.5, 0, B) == INVMAN_OK);
          CLOSE(largest_difference(M, B, n * n), 0, 2e-11);
          if (a != b) continue;
          unit_scale(A, n * n, 920); /* and beyond what tau and G could be added to */
          CHECK(honest_sinkhorn(A, n, ldexp(1.5, 920), 0, B) == INVMAN_OK);
          CLOSE(largest_difference(M, B, n * n), 0, 2e-11);
        }
      free(G), free(A), free(M), free(B);
    }
  {
    enum { N = 32 };
    double *G = (double *)malloc(N * N * sizeof(double)), *M = (double *)malloc(N * N * sizeof(double));
    for (i = 0; i < N * N; i++) G[i] = (double)((7 * (i / N) + 3 * (i % N)) % 5) - 1e9 * (double)(i % N);
    CHECK(honest_sinkhorn(G, N, 1, 0, M) == INVMAN_OK);
    free(G), free(M);
  }
}

static void measures_sinkhorn_cold_and_warm(void) {
  /* 2^k A + N, integers A with two best assignments: in their entries N decides, and the others are 0 for every k. What
     rows and columns have in common does not show in their largest: some 2^k sweeps go to +-2^k, one by one. */
  enum { N = 4, TRIALS = 4 };
  size_t trial, i, j;
  invman_rng rng;
  invman_rng_seed(&rng, 409, 1);
  for (trial = 0; trial < TRIALS; trial++) {
    double A[N * N], small[N * N], G[N * N], M[N * N], B[N * N];
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) A[i * N + j] = j == i || j == (i + 1) % N ? 0 : -1 - (double)invman_i_below(&rng, 4);
    common_add(A, N, 3 + (double)trial, 2 + (double)(trial % 3));
    for (i = 0; i < N * N; i++) small[i] = floor(ldexp(invman_rng_normal(&rng), 16)) / 65536;
    for (i = 0; i < N * N; i++) G[i] = ldexp(A[i], 7) + small[i];
    CHECK(honest_sinkhorn(G, N, 1, 300000, M) == INVMAN_OK);
    for (i = 0; i < N * N; i++) G[i] = ldexp(A[i], 15) + small[i];
    CHECK(honest_sinkhorn(G, N, 1, 300000, B) == INVMAN_OK);
    CLOSE(largest_difference(M, B, N * N), 0, 1e-10);
    for (i = 0; i < N; i++) CHECK(M[i * (N + 1)] > 1e-3 && M[i * (N + 1)] < 1 - 1e-3);
  }
}

static void measures_sinkhorn_says_what_it_made(void) { /* any logits, any tau: what is OK is so, and nothing is NaN */
  enum { N = 6, TRIALS = 400 };
  invman_rng rng;
  size_t trial, i, good = 0;
  invman_rng_seed(&rng, 410, 1);
  for (trial = 0; trial < TRIALS; trial++) {
    double G[N * N], M[N * N], u[N], v[N], size = exp(0.5 * 1400 * (2 * invman_rng_uniform(&rng) - 1));
    double tau = size * exp(1 + 2 * invman_rng_normal(&rng)), far = size * exp(34 * invman_rng_uniform(&rng));
    for (i = 0; i < N; i++) u[i] = far * invman_rng_normal(&rng), v[i] = far * invman_rng_normal(&rng);
    if (!(tau > 0 && tau <= DBL_MAX)) tau = size;
    for (i = 0; i < N * N; i++) {
      G[i] = size * invman_rng_normal(&rng) + u[i / N] + (trial % 3 ? v[i % N] : 0);
      if (trial % 5 == 0 && invman_i_below(&rng, 3) == 0) G[i] = -HUGE_VAL;
      if (!(G[i] <= DBL_MAX)) G[i] = DBL_MAX;
    }
    for (i = 0; i < N; i++) G[i * N + (i + trial) % N] = size; /* no row and no column of nothing else */
    good += honest_sinkhorn(G, N, tau, 300, M) == INVMAN_OK;
    for (i = 0; i < N * N; i++) CHECK(M[i] >= 0 && M[i] <= 1);
  }
  CHECK(good > TRIALS / 10);
}

static void measures_sinkhorn_beyond_sums(void) { /* 2 x 2: M_00 = 1/(1 + exp((b + c - a - d)/(2 tau))) */
  size_t trial, k;
  invman_rng rng;
  double G[4] = {1.7e308, -1.7e308, -1.7e308, 1.7e308}, M[4];
  CHECK(honest_sinkhorn(G, 2, 1e308, 0, M) == INVMAN_OK);
  CLOSE(M[0], 1 / (1 + exp(-3.4)), 1e-15);
  invman_rng_seed(&rng, 411, 1);
  for (trial = 0; trial < 200; trial++) {
    double tau = DBL_MAX * (0.2 + 0.8 * invman_rng_uniform(&rng)), x[4];
    for (k = 0; k < 4; k++) G[k] = DBL_MAX * (2 * invman_rng_uniform(&rng) - 1), x[k] = G[k] / tau;
    CHECK(honest_sinkhorn(G, 2, tau, 0, M) == INVMAN_OK);
    CLOSE(M[0], 1 / (1 + exp((x[1] + x[2] - x[0] - x[3]) / 2)), 1e-11);
  }
  for (k = 0; k < 4; k++) G[k] = k == 3 ? -HUGE_VAL : 0; /* no such matrix: sweeps move u and v apart for ever */
  CHECK(honest_sinkhorn(G, 2, DBL_MAX, 3000, M) == INVMAN_NOT_CONVERGED && M[3] == 0);
  CHECK(M[0] > 0 && M[0] < 0.01 && M[1] > 0.99 && M[1] <= 1);
}

static int sinkhorn_stop(const char *stage, double done, void *user) {
  (void)stage, (void)done, (void)user;
  return 1;
}

static void measures_sinkhorn_in_place(void) { /* M may be G; and where it is stopped, what there is, is measured */
  enum { N = 9 };
  double *G = normals(N * N, 412), M[N * N], tau;
  size_t i;
  invman_sinkhorn_info info;
  invman_context ctx;
  for (tau = 1; tau > 0.04; tau /= 4) {
    double A[N * N];
    memcpy(A, G, sizeof A);
    CHECK(invman_sinkhorn(NULL, G, N, tau, 0, 400, M, NULL) == invman_sinkhorn(NULL, A, N, tau, 0, 400, A, NULL));
    CHECK(same_bits(A, M, N * N));
  }
  for (i = 0; i < 20; i++) { /* M is made more than once where rounding is larger than what is asked */
    double A[N * N], *B = normals(N * N, 413 + i);
    memcpy(A, B, sizeof A);
    invman_sinkhorn(NULL, B, N, 0.5, 1e-16, 100, M, &info), invman_sinkhorn(NULL, A, N, 0.5, 1e-16, 100, A, NULL);
    CHECK(same_bits(A, M, N * N) && info.residual == invman_i_stochastic_residual(M, N));
    free(B);
  }
  memset(&ctx, 0, sizeof ctx);
  ctx.progress = sinkhorn_stop;
  CHECK(invman_sinkhorn(&ctx, G, N, 0.1, 0, 0, M, &info) == INVMAN_STOPPED && info.sweeps == 1 && info.residual > 1e-3);
  CLOSE(info.residual, diag_residual(M, N), 1e-15);
  free(G);
}

static void measures_layer_norm_of_constants(void) {
  static const double values[8] = {0.1, 1.0 / 3, -0.7, 1e6 + 0.1, 1e-160, 1.7e308, 5e-324, 123456789.123};
  double *v = (double *)malloc(2000 * sizeof(double));
  size_t k, n, i, bad = 0;
  for (k = 0; k < 8; k++)
    for (n = 1; n <= 2000; n += k == 0 ? 1 : 37) {
      for (i = 0; i < n; i++) v[i] = values[k];
      invman_layer_norm(v, n, n % 2 ? 0 : 1e-5);
      for (i = 0; i < n; i++) bad += v[i] != 0;
    }
  CHECK(bad == 0);
  free(v);
}

/* Integers e_i of 2^shift: n e_i - sum e is exact, and nothing else is subtracted. */
static void check_layer_norm(const double *e, size_t n, int shift, double close) {
  double *v = (double *)malloc(n * sizeof(double)), sum = 0, square = 0, worst = 0;
  size_t i;
  for (i = 0; i < n; i++) sum += e[i];
  for (i = 0; i < n; i++) v[i] = ldexp(e[i], shift), square += ((double)n * e[i] - sum) * ((double)n * e[i] - sum);
  invman_layer_norm(v, n, 0);
  for (i = 0; i < n; i++) {
    double wanted = ((double)n * e[i] - sum) / sqrt(square / (double)n);
    worst = fmax(worst, fabs(v[i] - wanted) / fabs(wanted != 0 ? wanted : 1));
  }
  CLOSE(worst, 0, close);
  free(v);
}

static void measures_layer_norm_of_any_mean(void) {
  static const double means[5] = {0, 1e6, 1e9, 1e12, -1099511627776.0};
  static const int shifts[5] = {0, -40, 900, -900, -1074};
  size_t k, l, n, i;
  invman_rng rng;
  double *e = (double *)malloc(100000 * sizeof(double)), worst = 0;
  invman_rng_seed(&rng, 420, 1);
  for (k = 0; k < 5; k++)
    for (l = 0; l < 5; l++)
      for (n = 2; n < 3000; n = 3 * n + 1) {
        for (i = 0; i < n; i++) e[i] = means[k] + (double)invman_i_below(&rng, 9);
        e[0] = means[k], e[1] = means[k] + 20;
        check_layer_norm(e, n, shifts[l], 3e-14);
        e[n / 2] = 1e12 - 1; /* one of another size */
        check_layer_norm(e, n, shifts[l], 3e-14);
        e[n / 2] = e[0], e[0] = 1e12 - 1;
        check_layer_norm(e, n, shifts[l], 3e-14);
      }
  for (i = 0; i < 100000; i++) e[i] = i % 2 ? 1e6 + 1e-7 : 1e6 - 1e-7;
  invman_layer_norm(e, 100000, 0);
  for (i = 0; i < 100000; i++) worst = fmax(worst, fabs(e[i] - (i % 2 ? 1 : -1)));
  CLOSE(worst, 0, 1e-14);
  free(e);
}

static void measures_layer_norm_of_any_size(void) { /* +-a: a/sqrt(a^2 + eps) */
  int i, j;
  for (i = -323; i <= 308; i += 7)
    for (j = -323; j <= 308; j += 9) {
      double a = pow(10, i), eps = pow(10, j), root = sqrt(eps), v[2], wanted;
      v[0] = a, v[1] = -a;
      wanted = root > a ? 1 / sqrt(1 + a / root * (a / root)) * (a / root) : 1 / sqrt(1 + root / a * (root / a));
      invman_layer_norm(v, 2, eps);
      CLOSE(v[0], wanted, 1e-15 * wanted + 5e-324);
      CHECK(v[1] == -v[0]);
    }
  {
    double v[2] = {1e-160, -1e-160}, w[3];
    invman_layer_norm(v, 2, 1e-5);
    CLOSE(v[0], sqrt(10) * 1e-158, 1e-172);
    w[0] = 1, w[1] = NAN, w[2] = 2; /* what is no number does not become one */
    invman_layer_norm(w, 3, 1e-5);
    CHECK(w[0] != w[0] && w[1] != w[1] && w[2] != w[2]);
  }
}

static void measures_centred_have_nothing_in_common(void) { /* K + u_i + v_j: alignment, singular values, collapse */
  enum { N = 14 };
  size_t seed, a, b, k;
  for (seed = 0; seed < 8; seed++) {
    double *K = common_integers(N, 430 + seed), *L = common_integers(N, 450 + seed), A[N * N], sigma[N], other[N];
    double plain[2], one, y[N];
    invman_collapse c, d;
    for (k = 0; k < N; k++) y[k] = (double)(k % 3);
    for (k = 0; k < N * N; k++) A[k] = K[k % N * N + k / N]; /* symmetric, positive on the diagonal */
    for (k = 0; k < N * N; k++) K[k] += A[k] + (k % (N + 1) ? 0 : 60);
    CHECK(invman_centred_alignment(NULL, K, L, N, 0, &plain[0]) == INVMAN_OK);
    CHECK(invman_centred_alignment(NULL, K, K, N, 0, &plain[1]) == INVMAN_OK && plain[1] <= 1);
    CLOSE(plain[1], 1, 1e-14);
    CHECK(invman_centred_singular_values(NULL, K, N, sigma) == INVMAN_OK);
    CHECK(invman_neural_collapse(NULL, K, y, N, &c) == INVMAN_OK);
    for (a = 0; a < 4; a++)
      for (b = 0; b < 4; b++) {
        memcpy(A, K, sizeof A), common_add(A, N, common_sizes[a], common_sizes[b]);
        CHECK(invman_centred_alignment(NULL, A, L, N, 0, &one) == INVMAN_OK);
        CLOSE(one, plain[0], 1e-13);
        CHECK(invman_centred_alignment(NULL, K, A, N, 0, &one) == INVMAN_OK && one <= 1);
        CLOSE(one, 1, 1e-13);
        CHECK(invman_centred_singular_values(NULL, A, N, other) == INVMAN_OK);
        for (k = 0; k < N; k++) /* those below 4 DBL_EPSILON |M| are 0 */
          if (sigma[k] > 1 && common_sizes[a] + common_sizes[b] < 1e13) CLOSE(other[k], sigma[k], 1e-12 * sigma[0]);
        for (k = 0; k < N * N; k++) A[k] = K[k] + common_sizes[a];
        CHECK(invman_neural_collapse(NULL, A, y, N, &d) == INVMAN_OK);
        CLOSE(d.within, c.within, 1e-12 * c.within);
        CLOSE(d.between, c.between, 1e-12 * c.within);
        CLOSE(d.nc2_angles, c.nc2_angles, 1e-11);
        CLOSE(d.nc2_norms, c.nc2_norms, 1e-11);
        CHECK(d.nearest_mean_error == c.nearest_mean_error && d.uncentred_cosine <= 1);
      }
    free(K), free(L);
  }
}

/* ---- sizes side by side, and bounds */

static void measures_distances_of_all_sizes(void) {
  enum { N = 40 };
  double x[2 * N], D[N * N], three[6] = {1e200, 0, 1, 2, 3, 0}, E[9], worst = 0;
  size_t trial, i, j;
  invman_rng rng;
  CHECK(invman_point_distances(NULL, three, 3, 2, E) == INVMAN_OK && E[1] == 1e200 && E[6] == 1e200);
  CLOSE(E[5], sqrt(8), 1e-15);
  CLOSE(E[7], sqrt(8), 1e-15);
  invman_rng_seed(&rng, 440, 1);
  for (trial = 0; trial < 20; trial++) {
    for (i = 0; i < 2 * N; i++) x[i] = invman_rng_normal(&rng) * pow(10, 590 * invman_rng_uniform(&rng) - 300);
    for (i = 0; i < N; i++) x[2 * i + i % 2] *= i % 3 ? 1 : 0;
    for (i = 0; i < N / 2; i++) x[2 * (N / 2 + i)] = x[2 * i]; /* apart in one coordinate only */
    CHECK(invman_point_distances(NULL, x, N, 2, D) == INVMAN_OK);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) {
        double wanted = hypot(x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]);
        if (wanted > 0) worst = fmax(worst, fabs(D[i * N + j] - wanted) / wanted);
        else CHECK(D[i * N + j] == 0);
      }
  }
  CLOSE(worst, 0, 6e-16);
  x[0] = 0, x[1] = 5e-324, x[2] = 3 * 5e-324; /* the least that there is */
  CHECK(invman_point_distances(NULL, x, 3, 1, E) == INVMAN_OK && E[1] == 5e-324 && E[2] == 3 * 5e-324);
  E[1] = E[3] = E[5] = E[7] = 5e-324;
  CHECK(invman_median_distance(NULL, E, 3, &worst) == INVMAN_OK && worst == 5e-324);
  for (i = 0; i < 16; i++) D[i] = i % 5 ? 5e-324 : 0;
  CHECK(invman_median_distance(NULL, D, 4, &worst) == INVMAN_OK && worst == 5e-324); /* the mean of two of them */
  for (i = 0; i < 16; i++) D[i] = i % 5 ? i % 3 ? DBL_MAX : 5e-324 : 0;
  CHECK(invman_median_distance(NULL, D, 4, &worst) == INVMAN_OK && worst <= DBL_MAX);
}

static void measures_within_their_bounds(void) { /* of equal values rounding would overstep them */
  double lambda[40], least[3] = {1e-170, 1e-170, -1}, M[40 * 40], U = 1.5, tau[4];
  invman_spectrum s;
  invman_mixing m;
  size_t n, k, i, trial;
  invman_rng rng;
  CHECK(invman_spectral_measures(NULL, least, 3, 0, 0, &s) == INVMAN_OK && s.rank == 2 && s.sum == 2e-170);
  CHECK(s.participation_ratio == 2 && s.stable_rank == 2 && s.anisotropy == 0.5);
  CLOSE(s.entropy, log(2.0), 1e-15);
  invman_rng_seed(&rng, 441, 1);
  for (n = 1; n <= 40; n++)
    for (trial = 0; trial < 8; trial++) {
      double value = exp(300 * (2 * invman_rng_uniform(&rng) - 1)), entropy = -1;
      for (i = 0; i < n; i++) lambda[i] = value;
      for (k = 0; k < 2; k++) {
        CHECK(invman_spectral_measures(NULL, lambda, n, (int)k, 0, &s) == INVMAN_OK && s.rank == n);
        CHECK(s.entropy <= invman_i_log((double)n) && s.effective_rank <= (double)n && s.stable_rank <= (double)n);
        CHECK(s.participation_ratio <= (double)n && s.anisotropy >= 1 / (double)n && s.effective_rank >= 1);
        CLOSE(s.participation_ratio, (double)n, 1e-14 * (double)n);
      }
      for (i = 0; i < n * n; i++) M[i] = i % (n + 1) ? 0 : value; /* orthogonal points */
      CHECK(invman_von_neumann_entropy(NULL, M, n, &entropy) == INVMAN_OK && entropy <= invman_i_log((double)n));
      for (i = 0; i < n * n; i++) M[i] = (1 + 5e-16) / (double)n;
      if (n > 1) CHECK(invman_mixing_measures(NULL, M, n, &m) == INVMAN_OK && m.share <= 1 && m.by_least >= 0);
      for (i = 0; i < n * n; i++) M[i] = i % n == (i / n + trial) % n ? 1 : 0;
      if (n > 1) CHECK(invman_mixing_measures(NULL, M, n, &m) == INVMAN_OK && m.sigma_2 <= 1 && m.entropy >= 0);
    }
  for (trial = 0; trial < 300; trial++) { /* K = y y', K with itself, the labels' share in a basis */
    double *v = normals(12, 500 + trial), *w = normals(48, 900 + trial), K[144], A[16], one, power[4], value[4];
    for (i = 0; i < 144; i++) K[i] = v[i / 12] * v[i % 12];
    CHECK(invman_target_alignment(NULL, K, v, 12, &one) == INVMAN_OK && one <= 1 && one > 1 - 1e-14);
    for (k = 0; k < 2; k++) {
      CHECK(invman_centred_alignment(NULL, K, K, 12, k, &one) == INVMAN_OK && one <= 1);
      CLOSE(one, 1, 1e-14);
    }
    for (i = 0; i < 16; i++) A[i] = w[i] + w[i % 4 * 4 + i / 4];
    CHECK(invman_eigh(NULL, 4, A, value) == INVMAN_OK);
    CHECK(invman_cumulative_power(NULL, A, v, 4, power) == INVMAN_OK && power[3] <= 1);
    CLOSE(power[3], 1, 1e-14);
    for (i = 0; i < 4; i++) value[i] = 1;
    CHECK(invman_ridge_leverage(NULL, value, A, 4, 1e-30, tau, NULL) == INVMAN_OK);
    for (i = 0; i < 4; i++) CHECK(tau[i] <= 1 && tau[i] > 1 - 1e-14);
    free(v), free(w);
  }
  /* no orthonormal basis: what it makes is not hidden */
  CHECK(invman_ridge_leverage(NULL, &U, &U, 1, 1e-30, tau, NULL) == INVMAN_OK && tau[0] > 2);
}

static void measures_at_the_ends_of_numbers(void) { /* where an intermediate sum or quotient is no number */
  double lambda[4] = {1e308, 5e307, 1e307, 1e307}, C[4], y[4] = {1, 1, 1, 1}, phi, f, norm[2], rest[2], one = 1, k;
  static const double U[16] = {.5, .5, .5, .5, .5, .5, -.5, -.5, .5, -.5, .5, -.5, .5, -.5, -.5, .5};
  double x[4] = {3e200, 4e200, 1, 2}, axes[4] = {1, 0, 0, 1};
  size_t used, i;
  for (i = 0; i < 4; i++) C[i] = 1.7e308;
  CHECK(invman_nystrom_extension(NULL, lambda, U, 4, 1, C, 1, &phi) == INVMAN_OK);
  CLOSE(phi, 3.4, 1e-14);
  CHECK(invman_spectral_predictor(NULL, lambda, U, y, 4, 1, 0, C, 1, &f) == INVMAN_OK);
  CLOSE(f, 6.8, 1e-14);
  CHECK(invman_spectral_predictor(NULL, lambda, U, y, 4, 1, 1.5e308, C, 1, &f) == INVMAN_OK);
  CLOSE(f, 2.72, 1e-14);
  for (k = -1074; k <= 1023; k += 9) { /* 2^2j/2^k: one or two */
    double least = ldexp(1, (int)k), label = ldexp(1, (int)floor(k / 2)), norm2;
    CHECK(invman_rkhs_norm(NULL, &least, &one, &label, 1, 0, &norm2, &used) == INVMAN_OK && used == 1);
    CHECK(norm2 == (fmod(k, 2) == 0 ? 1 : 0.5));
  }
  CHECK(invman_subspace_norms(NULL, axes, 2, 2, x, 2, norm, NULL) == INVMAN_OK);
  CLOSE(norm[0] / 5e200, 1, 1e-15);
  CHECK(invman_subspace_norms(NULL, axes, 1, 2, x, 2, norm, rest) == INVMAN_E_NONFINITE);
  CHECK(norm[0] == 0 && norm[1] == 0 && rest[0] == 0 && rest[1] == 0); /* a failed call leaves nothing */
}

static void measures_of_tiny_signals(void) {
  double k;
  for (k = -320; k < 300; k += 10) {
    double snr = pow(10, k), cosine = invman_snr_cosine(snr);
    CLOSE(cosine, sqrt(snr) / sqrt(1 + snr), 1e-15 * cosine);
    if (k < -20 && k > -300) CLOSE(invman_critical_depth(1, pow(10, k), 0.5), -k * log(10) / log(2.0), 1e-10);
  }
}

/* Logits whose sweeps go on for long: what is added to a column changes neither the start nor the end. */
static void measures_sinkhorn_starts_from_the_same(void) {
  static const double gaps[] = {2, 8, 16, 40};
  size_t k;
  for (k = 0; k < sizeof gaps / sizeof *gaps; k++) {
    double G[4] = {0, -gaps[k], -gaps[k], 0}, H[4] = {1, -gaps[k], 1 - gaps[k], 0}, M[4], N[4];
    invman_sinkhorn_info info;
    CHECK(invman_sinkhorn(NULL, G, 2, 1, 0, 0, M, &info) == INVMAN_OK && info.sweeps <= 2);
    CHECK(invman_sinkhorn(NULL, H, 2, 1, 0, 0, N, &info) == INVMAN_OK && info.sweeps <= 2);
    CLOSE(largest_difference(M, N, 4), 0, 1e-14);
  }
}

static void measures_tests(void) {
  RUN(measures_sinkhorn_starts_from_the_same);
  RUN_UNFLUSHED(measures_in_any_unit);
  RUN(measures_sinkhorn_keeps_no_offsets);
  RUN(measures_sinkhorn_cold_and_warm);
  RUN(measures_sinkhorn_says_what_it_made);
  RUN(measures_sinkhorn_beyond_sums);
  RUN(measures_sinkhorn_in_place);
  RUN(measures_layer_norm_of_constants);
  RUN_UNFLUSHED(measures_layer_norm_of_any_mean);
  RUN_UNFLUSHED(measures_layer_norm_of_any_size);
  RUN(measures_centred_have_nothing_in_common);
  RUN_UNFLUSHED(measures_distances_of_all_sizes);
  RUN(measures_within_their_bounds);
  RUN_UNFLUSHED(measures_at_the_ends_of_numbers);
  RUN(measures_of_tiny_signals);
}
