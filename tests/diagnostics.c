/* The diagnostics: closed forms, plain references, symmetries, inequalities, statistics, bad input, and what
   features do to them in training. Random numbers have fixed seeds; "four sigma" is four standard deviations. */

static const double diag_pi = 3.14159265358979323846;

/* d orthonormal rows in random directions. */
static double *diag_rotation(size_t d, uint64_t seed) {
  double *Q = normals(d * d, seed), dot;
  size_t i, j, k, pass;
  for (i = 0; i < d; i++)
    for (pass = 0; pass < 3; pass++) {
      for (j = 0; j < i && pass < 2; j++) {
        for (dot = 0, k = 0; k < d; k++) dot += Q[i * d + k] * Q[j * d + k];
        for (k = 0; k < d; k++) Q[i * d + k] -= dot * Q[j * d + k];
      }
      for (dot = 0, k = 0; k < d; k++) dot += Q[i * d + k] * Q[i * d + k];
      for (k = 0; k < d; k++) Q[i * d + k] /= sqrt(dot);
    }
  return Q;
}

/* out (n,m) = A (n,k) B (k,m) */
static void diag_product(const double *A, const double *B, size_t n, size_t k, size_t m, double *out) {
  size_t i, j, l;
  for (i = 0; i < n; i++)
    for (j = 0; j < m; j++) {
      double sum = 0;
      for (l = 0; l < k; l++) sum += A[i * k + l] * B[l * m + j];
      out[i * m + j] = sum;
    }
}

/* K (n,n) = x x' */
static double *diag_gram(const double *x, size_t n, size_t d) {
  double *K = (double *)malloc(n * n * sizeof(double));
  size_t i, j, l;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) {
      double sum = 0;
      for (l = 0; l < d; l++) sum += x[i * d + l] * x[j * d + l];
      K[i * n + j] = sum;
    }
  return K;
}

static double *diag_distances(const double *x, size_t n, size_t d) {
  double *D = (double *)malloc(n * n * sizeof(double));
  size_t i, j, l;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) {
      double sum = 0;
      for (l = 0; l < d; l++) sum += (x[i * d + l] - x[j * d + l]) * (x[i * d + l] - x[j * d + l]);
      D[i * n + j] = sqrt(sum);
    }
  return D;
}

/* lambda (n), and U (n,n) where it is wanted, of a copy of A. */
static void diag_eigen(const double *A, size_t n, double *lambda, double *U) {
  double *copy = U ? U : (double *)malloc(n * n * sizeof(double));
  memcpy(copy, A, n * n * sizeof(double));
  CHECK((U ? invman_eigh(NULL, n, copy, lambda) : invman_eigvalsh(NULL, n, copy, lambda)) == INVMAN_OK);
  if (!U) free(copy);
}

/* x (n) <- A^-1 x by elimination with pivots. */
static void diag_solve(const double *A, size_t n, double *x) {
  double *B = (double *)malloc(n * n * sizeof(double));
  size_t i, j, k, best;
  memcpy(B, A, n * n * sizeof(double));
  for (k = 0; k < n; k++) {
    for (best = k, i = k; i < n; i++)
      if (fabs(B[i * n + k]) > fabs(B[best * n + k])) best = i;
    for (j = 0; j < n && best != k; j++) {
      double swap = B[k * n + j];
      B[k * n + j] = B[best * n + j], B[best * n + j] = swap;
    }
    if (best != k) {
      double swap = x[k];
      x[k] = x[best], x[best] = swap;
    }
    for (i = k + 1; i < n; i++) {
      double factor = B[i * n + k] / B[k * n + k];
      for (j = k; j < n; j++) B[i * n + j] -= factor * B[k * n + j];
      x[i] -= factor * x[k];
    }
  }
  for (k = n; k-- > 0;) {
    for (j = k + 1; j < n; j++) x[k] -= B[k * n + j] * x[j];
    x[k] /= B[k * n + k];
  }
  free(B);
}

static void diag_permutation(size_t *order, size_t n, invman_rng *rng) {
  size_t i;
  for (i = 0; i < n; i++) order[i] = i;
  for (i = n; i > 1; i--) {
    size_t j = invman_i_below(rng, i), swap = order[i - 1];
    order[i - 1] = order[j], order[j] = swap;
  }
}

static double diag_dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  size_t i;
  for (i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

static double diag_norm(const double *a, size_t n) { return sqrt(diag_dot(a, a, n)); }

static invman_net diag_net(size_t h, size_t d, uint64_t seed) {
  invman_net net;
  invman_rng rng;
  memset(&net, 0, sizeof net);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  CHECK(invman_net_init(NULL, h, d, &rng, &net) == INVMAN_OK);
  return net;
}

static invman_data diag_data(int kind, size_t d, size_t n, uint64_t seed) {
  invman_data data;
  invman_data_model model;
  invman_rng rng;
  memset(&data, 0, sizeof data);
  memset(&model, 0, sizeof model);
  model.kind = kind;
  model.d = d;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  CHECK(invman_data_sample(NULL, &model, n, &rng, &data) == INVMAN_OK);
  return data;
}

static double diag_z(const invman_net *net, size_t neuron, const double *x) {
  return diag_dot(net->w + neuron * net->d, x, net->d) / sqrt((double)net->d) + net->b[neuron];
}

static double diag_f(const invman_net *net, const double *x) {
  double sum = 0, z;
  size_t k;
  for (k = 0; k < net->h; k++)
    if ((z = diag_z(net, k, x)) > 0) sum += net->beta[k] * sqrt(2.0) * z;
  return sum / (double)net->h;
}

/* ---- spectrum */

static void diagnostics_spectrum_closed_forms(void) {
  static const double two[4] = {1, 0, 1, 0}, uneven[2] = {1, 4}, steps[3] = {1e-3, 1, 1e-9};
  static const double negative[3] = {-1e-12, 3, -1e-30};
  double halves[40], zeros[5] = {0, 0, 0, 0, 0}, S, H;
  invman_spectrum s, t;
  size_t i;
  memset(&s, 0, sizeof s);
  CHECK(invman_spectral_measures(NULL, two, 4, 0, 0, &s) == INVMAN_OK);
  CLOSE(s.sum, 2, 0);
  CLOSE(s.entropy, log(2.0), 1e-15);
  CLOSE(s.effective_rank, 2, 1e-15);
  CLOSE(s.participation_ratio, 2, 1e-15);
  CLOSE(s.stable_rank, 2, 1e-15);
  CLOSE(s.anisotropy, 0.5, 1e-16);
  CHECK(s.rank == 2);

  CHECK(invman_spectral_measures(NULL, uneven, 2, 0, 0, &s) == INVMAN_OK);
  CHECK(invman_spectral_measures(NULL, uneven, 2, 1, 0, &t) == INVMAN_OK);
  CLOSE(s.entropy, -(0.8 * log(0.8) + 0.2 * log(0.2)), 1e-15);
  CLOSE(t.entropy, -(2.0 / 3 * log(2.0 / 3) + log(1.0 / 3) / 3), 1e-15); /* p of the roots 1 and 2 */
  CLOSE(t.effective_rank, exp(t.entropy), 1e-14);
  CLOSE(s.participation_ratio, 25.0 / 17, 1e-15);
  CHECK(t.participation_ratio == s.participation_ratio && t.stable_rank == s.stable_rank && t.sum == s.sum);

  for (i = 0; i < 40; i++) halves[i] = ldexp(1, -(int)i - 1); /* sum i 2^-i = 2 - (n + 2) 2^-n */
  S = 1 - ldexp(1, -40);
  H = log(2.0) * (2 - 42 * ldexp(1, -40)) / S + log(S);
  CHECK(invman_spectral_measures(NULL, halves, 40, 0, 0, &s) == INVMAN_OK);
  CLOSE(s.sum, S, 1e-15);
  CLOSE(s.entropy, H, 1e-14);
  CLOSE(s.effective_rank, exp(H), 1e-13);
  CLOSE(s.participation_ratio, 3 * S * S / (1 - ldexp(1, -80)), 1e-14);
  CLOSE(s.stable_rank, 2 * S, 1e-14);
  CLOSE(s.anisotropy, 0.5 / S, 1e-15);
  CHECK(s.rank == 40);

  CHECK(invman_spectral_measures(NULL, zeros, 5, 0, 0, &s) == INVMAN_OK);
  CHECK(s.sum == 0 && s.entropy == 0 && s.effective_rank == 0 && s.participation_ratio == 0 && s.stable_rank == 0 &&
        s.anisotropy == 0 && s.rank == 0);
  CHECK(invman_spectral_measures(NULL, negative, 3, 0, 0, &s) == INVMAN_OK);
  CHECK(s.sum == 3 && s.entropy == 0 && s.effective_rank == 1 && s.participation_ratio == 1 && s.rank == 1);

  for (i = 0; i < 3; i++) {
    static const double tol[3] = {1e-2, 1e-6, 0};
    CHECK(invman_spectral_measures(NULL, steps, 3, 0, tol[i], &s) == INVMAN_OK && s.rank == i + 1);
  }
}

static void diagnostics_spectrum_inequalities(void) { /* and any scale, any order */
  enum { N = 30 };
  static const double scales[4] = {3.7, 1e-160, 1e200, 1e-290};
  invman_spectrum s, t;
  invman_rng rng;
  size_t trial, i, order[N];
  invman_rng_seed(&rng, 1, 1);
  for (trial = 0; trial < 100; trial++) {
    double lambda[N], other[N], H = 0, sum = 0, most = 0, square = 0;
    size_t n = 1 + invman_i_below(&rng, N), rank = 0;
    for (i = 0; i < n; i++) lambda[i] = exp(4 * invman_rng_normal(&rng)) * (trial % 3 == 0 && i % 2 == 1 ? 0 : 1);
    for (i = 0; i < n; i++) sum += lambda[i], square += lambda[i] * lambda[i], most = fmax(most, lambda[i]);
    for (i = 0; i < n; i++) {
      if (lambda[i] > 0) H -= lambda[i] / sum * log(lambda[i] / sum);
      rank += lambda[i] > (double)n * DBL_EPSILON * most;
    }
    CHECK(invman_spectral_measures(NULL, lambda, n, 0, 0, &s) == INVMAN_OK);
    CLOSE(s.entropy, H, 1e-13);
    CLOSE(s.participation_ratio, sum * sum / square, 1e-12 * s.participation_ratio);
    CLOSE(s.stable_rank, sum / most, 1e-13 * s.stable_rank);
    CLOSE(s.effective_rank, exp(H), 1e-12 * s.effective_rank);
    CHECK(s.rank == rank);
    CHECK(1 - 1e-14 <= s.stable_rank && s.stable_rank <= s.participation_ratio * (1 + 1e-14));
    CHECK(s.participation_ratio <= s.effective_rank * (1 + 1e-13));
    CHECK(s.effective_rank <= (double)n * (1 + 1e-13) && s.entropy >= 0);
    CLOSE(s.anisotropy * s.stable_rank, 1, 1e-14);
    diag_permutation(order, n, &rng);
    for (i = 0; i < n; i++) other[i] = lambda[order[i]] * scales[trial % 4];
    CHECK(invman_spectral_measures(NULL, other, n, 0, 0, &t) == INVMAN_OK);
    CLOSE(t.entropy, s.entropy, 1e-12);
    CLOSE(t.participation_ratio, s.participation_ratio, 1e-12 * s.participation_ratio);
    CLOSE(t.stable_rank, s.stable_rank, 1e-12 * s.stable_rank);
    CLOSE(t.anisotropy, s.anisotropy, 1e-12 * s.anisotropy);
    CHECK(t.rank == s.rank);
    CHECK(invman_spectral_measures(NULL, lambda, n, 1, 0, &t) == INVMAN_OK);
    CHECK(t.entropy >= s.entropy - 1e-13); /* roots are more even */
  }
}

static void diagnostics_von_neumann(void) {
  enum { N = 12, D = 5 };
  double *x = normals(N * D, 2), *K = diag_gram(x, N, D), C[D * D], lambda[D], small[4], H = -1, wanted = 0, c;
  size_t i, j, l;
  for (i = 0; i < D; i++) /* from the covariance of the normalised points: the same non-zero eigenvalues */
    for (j = 0; j < D; j++)
      for (C[i * D + j] = 0, l = 0; l < N; l++) C[i * D + j] += x[l * D + i] * x[l * D + j] / (K[l * N + l] * N);
  diag_eigen(C, D, lambda, NULL);
  for (i = 0; i < D; i++) wanted -= lambda[i] * log(lambda[i]);
  CHECK(invman_von_neumann_entropy(NULL, K, N, &H) == INVMAN_OK);
  CLOSE(H, wanted, 1e-12);
  CHECK(H <= log((double)D) + 1e-12);
  for (i = 0; i < N; i++) /* only directions count; a scale near the ends of the range */
    for (j = 0; j < N; j++) K[i * N + j] *= (1 + (double)i) * (1 + (double)j) * 1e250;
  CHECK(invman_von_neumann_entropy(NULL, K, N, &H) == INVMAN_OK);
  CLOSE(H, wanted, 1e-12);
  for (i = 0; i < N * N; i++) K[i] = i % (N + 1) == 0;
  CHECK(invman_von_neumann_entropy(NULL, K, N, &H) == INVMAN_OK);
  CLOSE(H, log((double)N), 1e-14);
  for (i = 0; i < N * N; i++) K[i] = 0.3;
  CHECK(invman_von_neumann_entropy(NULL, K, N, &H) == INVMAN_OK);
  CLOSE(H, 0, 1e-13);
  for (c = -0.9; c < 1; c += 0.2) { /* eigenvalues (1 +- c)/2 */
    small[0] = 4, small[1] = small[2] = 2 * 3 * c, small[3] = 9;
    CHECK(invman_von_neumann_entropy(NULL, small, 2, &H) == INVMAN_OK);
    CLOSE(H, -((1 + c) / 2 * log((1 + c) / 2) + (1 - c) / 2 * log((1 - c) / 2)), 1e-14);
  }
  free(x), free(K);
}

static void diagnostics_unexplained_area(void) { /* 0, 1, 2 components leave 6, 3, 1 */
  static const double lambda[3] = {3, 2, 1};
  CLOSE(invman_unexplained_area(lambda, 3, 0), 6, 0);
  CLOSE(invman_unexplained_area(lambda, 3, 1), 9, 0);
  CLOSE(invman_unexplained_area(lambda, 3, 2), 10, 0);
}

/* ---- kernel and labels */

/* A Gram matrix of n points in d dimensions with its eigenpairs and labels. */
typedef struct diag_kernel {
  size_t n, d;
  double *x, *K, *lambda, *U, *y;
} diag_kernel;

static diag_kernel diag_make_kernel(size_t n, size_t d, uint64_t seed) {
  diag_kernel k;
  size_t i;
  k.n = n, k.d = d;
  k.x = normals(n * d, seed);
  k.K = diag_gram(k.x, n, d);
  k.lambda = (double *)malloc(n * sizeof(double));
  k.U = (double *)malloc(n * n * sizeof(double));
  k.y = normals(n, seed + 1000);
  diag_eigen(k.K, n, k.lambda, k.U);
  for (i = 0; i < n; i++) k.y[i] = k.y[i] > 0 ? 1 : -1;
  return k;
}

static void diag_free_kernel(diag_kernel *k) { free(k->x), free(k->K), free(k->lambda), free(k->U), free(k->y); }

static void diagnostics_ridge_leverage(void) {
  enum { N = 14 };
  double tau[N], column[N], A[N * N], d_eff = -1, before = N + 1, trace, sum;
  size_t rank, i, j;
  for (rank = 4; rank <= 20; rank += 16) { /* points in fewer and in more dimensions than there are points */
    diag_kernel k = diag_make_kernel(N, rank, 3 + rank);
    static const double gammas[5] = {1e-7, 0.03, 1, 20, 1e4};
    size_t g, most = rank < N ? rank : (size_t)N;
    for (trace = 0, i = 0; i < N; i++) trace += k.K[i * N + i];
    for (g = 0, before = N + 1; g < 5; g++) {
      double gamma = gammas[g];
      CHECK(invman_ridge_leverage(NULL, k.lambda, k.U, N, gamma, tau, &d_eff) == INVMAN_OK);
      for (sum = 0, i = 0; i < N; i++) sum += tau[i];
      CLOSE(sum, d_eff, 1e-12 * N);
      CHECK(d_eff < before && d_eff <= trace / gamma && d_eff <= (double)most + 1e-5);
      if (g == 0) CLOSE(d_eff, (double)most, 1e-5);
      before = d_eff;
      for (i = 0; i < N * N; i++) A[i] = k.K[i] + (i % (N + 1) == 0 ? gamma : 0);
      for (i = 0; i < N && g > 0; i++) { /* [(K + gamma)^-1 K]_ii by elimination */
        for (j = 0; j < N; j++) column[j] = k.K[j * N + i];
        diag_solve(A, N, column);
        CLOSE(tau[i], column[i], 1e-11);
        CHECK(tau[i] >= 0 && tau[i] <= 1);
      }
      CHECK(invman_ridge_leverage(NULL, k.lambda, NULL, N, gamma, NULL, &sum) == INVMAN_OK && sum == d_eff);
      CHECK(invman_ridge_leverage(NULL, k.lambda, k.U, N, gamma, tau, NULL) == INVMAN_OK);
    }
    diag_free_kernel(&k);
  }
  for (i = 0; i < N * N; i++) A[i] = i % (N + 1) == 0; /* K = c 1 */
  for (i = 0; i < N; i++) column[i] = 2.5;
  CHECK(invman_ridge_leverage(NULL, column, A, N, 0.7, tau, &d_eff) == INVMAN_OK);
  for (i = 0; i < N; i++) CLOSE(tau[i], 2.5 / 3.2, 1e-15);
  CLOSE(d_eff, N * 2.5 / 3.2, 1e-14);
}

static void diagnostics_target_alignment(void) {
  enum { N = 15 };
  diag_kernel k = diag_make_kernel(N, 3, 7);
  double K[N * N], plain = 0, A = -1, B = -1;
  size_t i, j;
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) plain += k.y[i] * k.K[i * N + j] * k.y[j];
  plain /= N * diag_norm(k.K, N * N);
  CHECK(invman_target_alignment(NULL, k.K, k.y, N, &A) == INVMAN_OK);
  CLOSE(A, plain, 1e-14);
  CHECK(A >= 0 && A <= 1);
  for (i = 0; i < N * N; i++) K[i] = 1e250 * k.K[i];
  CHECK(invman_target_alignment(NULL, K, k.y, N, &B) == INVMAN_OK);
  CLOSE(B, A, 1e-14);
  for (i = 0; i < N * N; i++) K[i] = 1e-250 * k.K[i];
  CHECK(invman_target_alignment(NULL, K, k.y, N, &B) == INVMAN_OK);
  CLOSE(B, A, 1e-14);
  for (i = 0; i < N; i++) k.x[i] = 3 * k.y[i] * (1 + (double)i); /* any numbers for labels */
  for (i = 0; i < N * N; i++) K[i] = k.x[i / N] * k.x[i % N];
  CHECK(invman_target_alignment(NULL, K, k.x, N, &A) == INVMAN_OK);
  CLOSE(A, 1, 1e-14);
  for (i = 0; i < N * N; i++) K[i] = i % (N + 1) == 0 ? 4 : 0;
  CHECK(invman_target_alignment(NULL, K, k.y, N, &A) == INVMAN_OK);
  CLOSE(A, 1 / sqrt((double)N), 1e-15);
  diag_free_kernel(&k);
}

static void diagnostics_cumulative_power(void) {
  enum { N = 13 };
  diag_kernel k = diag_make_kernel(N, 20, 9);
  double power[N], lambda[N], omega2[N], sum = 0, K[N * N];
  size_t i;
  CHECK(invman_cumulative_power(NULL, k.U, k.y, N, power) == INVMAN_OK);
  CHECK(invman_kernel_pca(NULL, k.K, k.y, N, N, lambda, NULL, omega2) == INVMAN_OK);
  for (i = 0; i < N; i++) {
    sum += omega2[i];
    CLOSE(power[i], sum, 1e-12);
    CHECK(i == 0 ? power[0] >= 0 : power[i] >= power[i - 1]);
  }
  CLOSE(power[N - 1], 1, 1e-13);
  for (i = 0; i < N * N; i++) K[i] = k.y[i / N] * k.y[i % N];
  diag_eigen(K, N, lambda, k.U);
  for (i = 0; i < N; i++) k.y[i] *= 1e200; /* the share has no scale */
  CHECK(invman_cumulative_power(NULL, k.U, k.y, N, power) == INVMAN_OK);
  for (i = 0; i < N; i++) CLOSE(power[i], 1, 1e-12);
  diag_free_kernel(&k);
}

static void diagnostics_rkhs_norm(void) {
  enum { N = 12 };
  diag_kernel k = diag_make_kernel(N, 30, 11), low = diag_make_kernel(N, 4, 12);
  double z[N], norm2 = -1, more = -1, w[4] = {0.3, -1, 2, 0.7};
  size_t used = 77, i;
  memcpy(z, k.y, sizeof z);
  diag_solve(k.K, N, z);
  CHECK(invman_rkhs_norm(NULL, k.lambda, k.U, k.y, N, 0, &norm2, &used) == INVMAN_OK && used == N);
  CLOSE(norm2, diag_dot(z, k.y, N), 1e-10 * norm2);
  for (i = 0; i < N; i++) z[i] = k.lambda[i] * 100;
  CHECK(invman_rkhs_norm(NULL, z, k.U, k.y, N, 0, &more, NULL) == INVMAN_OK);
  CLOSE(more, norm2 / 100, 1e-12 * norm2);
  CHECK(invman_rkhs_norm(NULL, k.lambda, k.U, k.y, N, 0.5 * (k.lambda[2] + k.lambda[3]) / k.lambda[0], &more, &used) ==
            INVMAN_OK &&
        used == 3 && more < norm2);
  for (i = 0; i < N; i++) z[i] = diag_dot(low.x + 4 * i, w, 4); /* y = X w: the least norm is |w|^2 */
  CHECK(invman_rkhs_norm(NULL, low.lambda, low.U, z, N, 1e-10, &norm2, &used) == INVMAN_OK && used == 4);
  CLOSE(norm2, diag_dot(w, w, 4), 1e-11);
  diag_free_kernel(&k), diag_free_kernel(&low);
}

static void diagnostics_truncation(void) { /* the predictor and the Nystrom extension, at training points and others */
  enum { N = 16, M = 5, D = 25 };
  diag_kernel k = diag_make_kernel(N, D, 13), low = diag_make_kernel(N, 3, 14);
  double *x = normals(M * D, 15), C[M * N], f[N], phi[N * N], power[N], A[N * N], z[N], lambda[N], psi[N * N];
  size_t i, j, l, r;
  for (i = 0; i < M; i++)
    for (j = 0; j < N; j++) C[i * N + j] = diag_dot(x + i * D, k.x + j * D, D);
  CHECK(invman_cumulative_power(NULL, k.U, k.y, N, power) == INVMAN_OK);
  for (r = 1; r <= N; r++) {
    double residual = 0;
    CHECK(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, N, r, 0, k.K, N, f) == INVMAN_OK);
    for (i = 0; i < N; i++) residual += (k.y[i] - f[i]) * (k.y[i] - f[i]);
    CLOSE(residual, N * (1 - power[r - 1]), 1e-11 * N);
    CHECK(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, N, r, 0.4, C, M, f) == INVMAN_OK);
    for (i = 0; i < M; i++) {
      double wanted = 0;
      for (j = 0; j < r; j++)
        wanted += diag_dot(k.U + j * N, k.y, N) / (k.lambda[j] + 0.4) * diag_dot(C + i * N, k.U + j * N, N);
      CLOSE(f[i], wanted, 1e-11);
    }
  }
  CHECK(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, N, N, 0, k.K, N, f) == INVMAN_OK);
  CLOSE(largest_difference(f, k.y, N), 0, 1e-11);
  for (i = 0; i < N * N; i++) A[i] = k.K[i] + (i % (N + 1) == 0 ? 0.4 : 0); /* ridge regression by elimination */
  memcpy(z, k.y, sizeof z);
  diag_solve(A, N, z);
  CHECK(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, N, N, 0.4, C, M, f) == INVMAN_OK);
  for (i = 0; i < M; i++) CLOSE(f[i], diag_dot(C + i * N, z, N), 1e-11);

  CHECK(invman_kernel_pca(NULL, k.K, k.y, N, N, lambda, psi, NULL) == INVMAN_OK);
  CHECK(invman_nystrom_extension(NULL, k.lambda, k.U, N, N, k.K, N, phi) == INVMAN_OK);
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) {
      CLOSE(phi[i * N + j], k.U[j * N + i], 1e-11);
      CLOSE(fabs(sqrt((double)N) * phi[i * N + j]), fabs(psi[j * N + i]), 1e-10);
    }
  for (r = 1; r <= N; r += 5) { /* the predictor is the labels' components of these functions */
    CHECK(invman_nystrom_extension(NULL, k.lambda, k.U, N, r, C, M, phi) == INVMAN_OK);
    CHECK(invman_spectral_predictor(NULL, k.lambda, k.U, k.y, N, r, 0, C, M, f) == INVMAN_OK);
    for (i = 0; i < M; i++) {
      double sum = 0;
      for (j = 0; j < r; j++) {
        CLOSE(phi[i * r + j], diag_dot(C + i * N, k.U + j * N, N) / k.lambda[j], 1e-11);
        sum += phi[i * r + j] * diag_dot(k.U + j * N, k.y, N);
      }
      CLOSE(f[i], sum, 1e-11);
    }
  }
  /* Three dimensions: what lies beyond them is left out, not divided by rounding. */
  for (l = 3; l < N; l++) low.lambda[l] = (l % 2 ? 1 : -1) * DBL_EPSILON * low.lambda[0];
  CHECK(invman_spectral_predictor(NULL, low.lambda, low.U, low.y, N, N, 0, low.K, N, f) == INVMAN_OK);
  CHECK(invman_spectral_predictor(NULL, low.lambda, low.U, low.y, N, 3, 0, low.K, N, z) == INVMAN_OK);
  CLOSE(largest_difference(f, z, N), 0, 1e-12);
  CHECK(invman_nystrom_extension(NULL, low.lambda, low.U, N, N, low.K, N, phi) == INVMAN_OK);
  for (i = 0; i < N; i++)
    for (j = 3; j < N; j++) CHECK(phi[i * N + j] == 0);
  diag_free_kernel(&k), diag_free_kernel(&low), free(x);
}

static double diag_cka(const double *K, const double *L, size_t n, size_t r) {
  double value = -7;
  CHECK(invman_centred_alignment(NULL, K, L, n, r, &value) == INVMAN_OK);
  return value;
}

/* P K P by two products; r > 0: only its r largest eigenpairs. */
static double *diag_centred(const double *K, size_t n, size_t r) {
  double *P = (double *)malloc(n * n * sizeof(double)), *A = (double *)malloc(n * n * sizeof(double));
  double *B = (double *)malloc(n * n * sizeof(double)), *lambda = (double *)malloc(n * sizeof(double));
  size_t i, j, k;
  for (i = 0; i < n * n; i++) P[i] = (i % (n + 1) == 0 ? 1 : 0) - 1 / (double)n;
  diag_product(P, K, n, n, n, A);
  diag_product(A, P, n, n, n, B);
  if (r > 0) {
    diag_eigen(B, n, lambda, A);
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++)
        for (B[i * n + j] = 0, k = 0; k < r; k++) B[i * n + j] += lambda[k] * A[k * n + i] * A[k * n + j];
  }
  free(P), free(A), free(lambda);
  return B;
}

static void diagnostics_centred_alignment(void) {
  enum { N = 14 };
  diag_kernel k = diag_make_kernel(N, 5, 17), l = diag_make_kernel(N, 8, 18);
  double K[N * N], L[N * N], wanted, *Q = diag_rotation(5, 19), *y;
  size_t i, j, r, order[N];
  invman_rng rng;
  invman_rng_seed(&rng, 20, 1);
  for (r = 0; r <= 4; r++) {
    double *a = diag_centred(k.K, N, r), *b = diag_centred(l.K, N, r);
    wanted = diag_dot(a, b, N * N) / (diag_norm(a, N * N) * diag_norm(b, N * N));
    CLOSE(diag_cka(k.K, l.K, N, r), wanted, 1e-12);
    CLOSE(diag_cka(l.K, k.K, N, r), wanted, 1e-12);
    CLOSE(diag_cka(k.K, k.K, N, r), 1, 1e-13);
    CHECK(wanted > 0 && wanted < 1);
    for (i = 0; i < N * N; i++) K[i] = 1e200 * (k.K[i] - 0.8), L[i] = 1e-200 * (l.K[i] + 5);
    CLOSE(diag_cka(K, L, N, r), wanted, 1e-12);
    diag_permutation(order, N, &rng);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) K[i * N + j] = k.K[order[i] * N + order[j]], L[i * N + j] = l.K[order[i] * N + order[j]];
    CLOSE(diag_cka(K, L, N, r), wanted, 1e-12);
    free(a), free(b);
  }
  y = (double *)malloc(N * 5 * sizeof(double)); /* X and X Q have one Gram matrix */
  diag_product(k.x, Q, N, 5, 5, y);
  free(Q);
  Q = diag_gram(y, N, 5);
  CLOSE(diag_cka(k.K, Q, N, 0), 1, 1e-13);
  for (i = 0; i < N * N; i++) { /* (1,-1,0,0,..) and (1,1,-1,-1,0,..): centred, orthogonal */
    static const double u[4] = {1, -1, 0, 0}, v[4] = {1, 1, -1, -1};
    K[i] = i / N < 4 && i % N < 4 ? u[i / N] * u[i % N] : 0;
    L[i] = i / N < 4 && i % N < 4 ? v[i / N] * v[i % N] : 0;
  }
  CLOSE(diag_cka(K, L, N, 0), 0, 1e-14);
  CLOSE(diag_cka(K, L, N, 1), 0, 1e-14);
  diag_free_kernel(&k), diag_free_kernel(&l), free(Q), free(y);
}

/* ---- subspaces */

static void diag_check_angles(const double *theta, const invman_angles *a, size_t rank_u, size_t rank_v) {
  double square = 0, sines = 0, cosines = 0, most = 0;
  size_t i;
  for (i = 0; i < a->count; i++) {
    square += theta[i] * theta[i];
    sines += sin(theta[i]) * sin(theta[i]);
    cosines += cos(theta[i]) * cos(theta[i]);
    CHECK(theta[i] >= (i ? theta[i - 1] : 0) && theta[i] <= diag_pi / 2 + 1e-15);
    most = theta[i];
  }
  CHECK(a->count == (rank_u < rank_v ? rank_u : rank_v));
  CLOSE(a->largest, most, 1e-15);
  CLOSE(a->geodesic, sqrt(square), 1e-14);
  CLOSE(a->chordal, sqrt(sines), 1e-14);
  CLOSE(a->projection * a->projection, (double)(rank_u + rank_v) - 2 * cosines, 1e-13);
  CLOSE(a->overlap, cosines / (double)a->count, 1e-14);
}

static void diagnostics_angles_closed_forms(void) {
  /* V: e_i cos a_i + e_(k+i) sin a_i, U: e_i; both in random bases of their spans and in a rotated frame. */
  enum { K = 6, D = 14 };
  static const double angles[K] = {0, 1e-9, 3e-5, 0.7, 1.5, 1};
  size_t trial, i, k = K;
  for (trial = 0; trial < 12; trial++) {
    double U[K * D], V[K * D], W[K * D], theta[K], wanted[K];
    double *Q = diag_rotation(D, 30 + trial), *mix = diag_rotation(K, 60 + trial);
    invman_angles a;
    memset(U, 0, sizeof U), memset(V, 0, sizeof V);
    for (i = 0; i < k; i++) {
      wanted[i] = trial % 4 == 3 ? diag_pi / 2 - angles[i] : angles[i];
      U[i * D + i] = 1 + (double)i; /* rows need not be of norm 1 */
      V[i * D + i] = cos(wanted[i]), V[i * D + K + i] = sin(wanted[i]);
      if (trial % 4 == 3) V[i * D + i] = sin(angles[i]), V[i * D + K + i] = cos(angles[i]);
    }
    if (trial % 4 != 0) diag_product(U, Q, K, D, D, W), memcpy(U, W, sizeof U);
    if (trial % 4 != 0) diag_product(V, Q, K, D, D, W), memcpy(V, W, sizeof V);
    if (trial % 4 >= 2) diag_product(mix, V, K, K, D, W), memcpy(V, W, sizeof V);
    qsort(wanted, K, sizeof(double), by_value);
    CHECK(invman_principal_angles(NULL, U, K, V, K, D, theta, &a) == INVMAN_OK);
    CLOSE(largest_difference(theta, wanted, K), 0, 2e-14); /* rounding, far less than the 1e-8 that cosines leave */
    diag_check_angles(theta, &a, K, K);
    CHECK(invman_principal_angles(NULL, V, K, U, K, D, theta, NULL) == INVMAN_OK);
    CLOSE(largest_difference(theta, wanted, K), 0, 2e-14);
    for (i = 0; i < K * D; i++) U[i] *= 1e200, V[i] *= 1e-200;
    CHECK(invman_principal_angles(NULL, U, K, V, K, D, theta, NULL) == INVMAN_OK);
    CLOSE(largest_difference(theta, wanted, K), 0, 2e-14);
    CHECK(invman_principal_angles(NULL, U, K, V, K, D, NULL, &a) == INVMAN_OK);
    free(Q), free(mix);
  }
  { /* a plane turned about one of its lines; one small angle alone, to its own precision */
    static const double turns[4] = {1e-9, 0.3, 1.2, 1e-14};
    double U[6] = {1, 0, 0, 0, 1, 0}, V[6] = {1, 0, 0, 0, 0, 0}, theta[2];
    for (i = 0; i < 4; i++) {
      V[4] = cos(turns[i]), V[5] = sin(turns[i]);
      CHECK(invman_principal_angles(NULL, U, 2, V, 2, 3, theta, NULL) == INVMAN_OK);
      CLOSE(theta[0], 0, 1e-16);
      CLOSE(theta[1], turns[i], 1e-15 * turns[i] + 1e-22);
    }
  }
}

static void diagnostics_angles_of_any_bases(void) {
  enum { D = 9, K = 3, M = 5 };
  size_t trial, i, j;
  for (trial = 0; trial < 20; trial++) {
    double *U = normals(K * D, 80 + trial), *V = normals(M * D, 120 + trial), *Q = diag_rotation(D, 160 + trial);
    double *mix = normals(M * M, 200 + trial), A[M * D], B[(M + 2) * D], theta[K], other[M + 2];
    double *R, wanted = 0, PU[D * D], PV[D * D];
    invman_angles a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    CHECK(invman_principal_angles(NULL, U, K, V, M, D, theta, &a) == INVMAN_OK);
    diag_check_angles(theta, &a, K, M);
    diag_product(U, Q, K, D, D, A), diag_product(V, Q, M, D, D, B); /* a common rotation */
    CHECK(invman_principal_angles(NULL, A, K, B, M, D, other, &b) == INVMAN_OK);
    CLOSE(largest_difference(theta, other, K), 0, 1e-13);
    diag_product(mix, V, M, M, D, B); /* another basis, and two rows more that add nothing */
    for (j = 0; j < D; j++) B[M * D + j] = B[j] - 2 * B[D + j], B[(M + 1) * D + j] = 0;
    CHECK(invman_principal_angles(NULL, U, K, B, M + 2, D, other, &b) == INVMAN_OK && b.count == K);
    CLOSE(largest_difference(theta, other, K), 0, 1e-11);
    CLOSE(b.projection, a.projection, 1e-11);
    CHECK(invman_principal_angles(NULL, V, M, B, M + 2, D, other, &b) == INVMAN_OK && b.count == M);
    CLOSE(b.largest, 0, 1e-11);
    /* |UU' - VV'| by the projectors themselves: (V'(VV')^-1 V) of each */
    for (i = 0; i < 2; i++) {
      double *S = i ? V : U, *P = i ? PV : PU, *G, e[M];
      size_t rows = i ? M : K, l;
      G = diag_gram(S, rows, D);
      for (j = 0; j < D; j++) {
        for (l = 0; l < rows; l++) e[l] = S[l * D + j];
        diag_solve(G, rows, e);
        diag_product(e, S, 1, rows, D, P + j * D);
      }
      free(G);
    }
    for (i = 0; i < D * D; i++) wanted += (PU[i] - PV[i]) * (PU[i] - PV[i]);
    CLOSE(a.projection, sqrt(wanted), 1e-12);
    R = diag_rotation(D, 240 + trial); /* the whole space */
    CHECK(invman_principal_angles(NULL, Q, D, R, D, D, NULL, &b) == INVMAN_OK && b.count == D);
    CLOSE(b.largest, 0, 1e-13);
    free(U), free(V), free(Q), free(R), free(mix);
  }
}

static void diagnostics_angles_of_random_planes(void) { /* mean overlap m/d = 3/8: within four sigma of 3000 draws */
  enum { D = 8, K = 2, M = 3, DRAWS = 3000 };
  double U[K * D], sum = 0, square = 0, *V = normals(M * D * DRAWS, 21);
  size_t i;
  memset(U, 0, sizeof U);
  U[0] = U[D + 1] = 1;
  for (i = 0; i < DRAWS; i++) {
    invman_angles a;
    CHECK(invman_principal_angles(NULL, U, K, V + M * D * i, M, D, NULL, &a) == INVMAN_OK);
    sum += a.overlap, square += a.overlap * a.overlap;
  }
  sum /= DRAWS;
  CLOSE(sum, 0.375, 4 * sqrt((square / DRAWS - sum * sum) / DRAWS));
  free(V);
}

static void diagnostics_subspace_norms(void) {
  enum { D = 7, K = 3, N = 9 };
  double *x = normals(N * D, 23), U[K * D], norm[N], residual[N], norm2[N], residual2[N], *Q = diag_rotation(D, 24);
  double y[N * D], V[(K + 1) * D], *mix = normals(K * K, 25);
  size_t i, j;
  memset(U, 0, sizeof U);
  for (i = 0; i < K; i++) U[i * D + 2 * i] = 1; /* the axes 0, 2, 4 */
  CHECK(invman_subspace_norms(NULL, U, K, D, x, N, norm, residual) == INVMAN_OK);
  for (i = 0; i < N; i++) {
    const double *p = x + i * D;
    CLOSE(norm[i], sqrt(p[0] * p[0] + p[2] * p[2] + p[4] * p[4]), 1e-15 * 10);
    CLOSE(residual[i], p[1] * p[1] + p[3] * p[3] + p[5] * p[5] + p[6] * p[6], 1e-14);
    CLOSE(norm[i] * norm[i] + residual[i], diag_dot(p, p, D), 1e-13);
  }
  diag_product(mix, U, K, K, D, V), diag_product(V, Q, K, D, D, y); /* rotated, in another basis, one row twice */
  memcpy(V, y, K * D * sizeof(double));
  for (j = 0; j < D; j++) V[K * D + j] = -3 * V[j];
  diag_product(x, Q, N, D, D, y);
  CHECK(invman_subspace_norms(NULL, V, K + 1, D, y, N, norm2, residual2) == INVMAN_OK);
  CLOSE(largest_difference(norm, norm2, N), 0, 1e-12);
  CLOSE(largest_difference(residual, residual2, N), 0, 1e-12);
  CHECK(invman_subspace_norms(NULL, U, K, D, x, N, norm2, NULL) == INVMAN_OK && same_bits(norm, norm2, N));
  CHECK(invman_subspace_norms(NULL, U, K, D, x, N, NULL, residual2) == INVMAN_OK && same_bits(residual, residual2, N));
  free(x), free(Q), free(mix);
}

static void diagnostics_weight_covariance(void) {
  enum { H = 40, D = 5 };
  invman_net net = diag_net(H, D, 4);
  double C[D * D], B[D * D], plain, weighted, flat[4] = {2, 9, 9, 0};
  size_t i, j, k;
  CHECK(invman_weight_covariance(NULL, &net, 0, C) == INVMAN_OK &&
        invman_weight_covariance(NULL, &net, 1, B) == INVMAN_OK);
  for (i = 0; i < D; i++)
    for (j = 0; j < D; j++) {
      for (plain = weighted = 0, k = 0; k < H; k++) {
        double term = net.w[k * D + i] * net.w[k * D + j] / H;
        plain += term, weighted += net.beta[k] * net.beta[k] * term;
      }
      CLOSE(C[i * D + j], plain, 1e-14);
      CLOSE(B[i * D + j], weighted, 1e-14);
      CHECK(C[i * D + j] == C[j * D + i] && B[i * D + j] == B[j * D + i]);
    }
  for (i = 0; i <= D + 1; i++) CLOSE(invman_metric_amplification(C, D, i), invman_amplification(&net, i), 1e-14);
  CHECK(invman_metric_amplification(C, D, 0) == 0 && invman_metric_amplification(C, D, D) == 0);
  CHECK(invman_metric_amplification(flat, 2, 1) == HUGE_VAL);
  flat[3] = 0.5;
  CLOSE(invman_metric_amplification(flat, 2, 1), 2, 1e-15);
  invman_net_free(NULL, &net);
}

/* ---- directions */

static void diagnostics_input_gradient(void) {
  enum { H = 25, D = 4, N = 10 };
  invman_net net = diag_net(H, D, 5);
  double *x = normals(N * D, 6), grad[N * D], again[N * D], e = 1e-6;
  size_t i, j, k, kinks = 0;
  CHECK(invman_input_gradient(NULL, &net, x, N, grad) == INVMAN_OK);
  for (i = 0; i < N; i++)
    for (j = 0; j < D; j++) {
      double plain = 0, up[D], down[D], near_kink = 0;
      memcpy(up, x + i * D, sizeof up), memcpy(down, x + i * D, sizeof down);
      up[j] += e, down[j] -= e;
      for (k = 0; k < H; k++) {
        if (diag_z(&net, k, x + i * D) > 0) plain += net.beta[k] * net.w[k * D + j];
        if ((diag_z(&net, k, up) > 0) != (diag_z(&net, k, down) > 0)) near_kink = 1;
      }
      CLOSE(grad[i * D + j], plain * sqrt(2.0 / D) / H, 1e-15);
      if (near_kink > 0) kinks++;
      else CLOSE(grad[i * D + j], (diag_f(&net, up) - diag_f(&net, down)) / (2 * e), 1e-9);
    }
  CHECK(kinks < 3);
  for (k = 0; k < H; k++) net.w[k * D + 1] = net.w[k * D + 3] = 0; /* what no neuron looks at has no slope at all */
  CHECK(invman_input_gradient(NULL, &net, x, N, again) == INVMAN_OK);
  for (i = 0; i < N; i++) CHECK(again[i * D + 1] == 0 && again[i * D + 3] == 0);
  invman_net_free(NULL, &net), free(x);
}

static void diagnostics_active_subspace(void) {
  /* f = x'Ax/2: the mean of A x x' A. Exactly A^2 over the points sqrt(d) e_j, about it over Gaussian ones. */
  enum { D = 5, N = 20000 };
  double *A = normals(D * D, 7), grad[D * D], square[D * D], C[D * D], lambda[D], V[D * D], activity[D], wanted[D];
  double *x = normals(N * D, 8), *many = (double *)malloc(N * D * sizeof(double)), U[D * D];
  size_t i, j, r;
  for (i = 0; i < D; i++)
    for (j = 0; j < i; j++) A[i * D + j] = A[j * D + i];
  diag_product(A, A, D, D, D, square);
  diag_eigen(square, D, wanted, U);
  for (i = 0; i < D * D; i++) grad[i] = sqrt((double)D) * A[i];
  for (r = 0; r <= D; r++) {
    CHECK(invman_active_subspace(NULL, grad, D, D, r, C, lambda, V, activity) == INVMAN_OK);
    CLOSE(largest_difference(C, square, D * D), 0, 1e-13);
    CLOSE(largest_difference(lambda, wanted, D), 0, 1e-12);
    for (i = 0; i < D; i++) {
      double score = 0;
      for (j = 0; j < (r ? r : (size_t)D); j++) score += wanted[j] * U[j * D + i] * U[j * D + i];
      CLOSE(activity[i], score, 1e-12);
      CLOSE(fabs(diag_dot(V + i * D, U + i * D, D)), 1, 1e-12);
      if (r == 0 || r == D) CLOSE(activity[i], square[i * D + i], 1e-12);
    }
  }
  diag_product(x, A, N, D, D, many);
  CHECK(invman_active_subspace(NULL, many, N, D, 0, C, NULL, NULL, NULL) == INVMAN_OK);
  for (i = 0; i < D; i++)
    for (j = 0; j < D; j++) { /* variance of a product of two Gaussians; five sigma, for fifteen entries */
      double variance = square[i * D + i] * square[j * D + j] + square[i * D + j] * square[i * D + j];
      CLOSE(C[i * D + j], square[i * D + j], 5 * sqrt(variance / N));
    }
  for (i = 0; i < N; i++) many[i * D + 2] = many[i * D + 4] = 0; /* flat directions: exactly nothing */
  CHECK(invman_active_subspace(NULL, many, N, D, 0, C, lambda, NULL, activity) == INVMAN_OK);
  for (i = 0; i < D; i++) CHECK(C[i * D + 2] == 0 && C[4 * D + i] == 0);
  CLOSE(activity[2], 0, 1e-14 * lambda[0]);
  CLOSE(lambda[3], 0, 1e-14 * lambda[0]);
  free(A), free(x), free(many);
}

static void diagnostics_stein_moments(void) {
  enum { D = 5, N = 200000 };
  static const double a = -0.3;
  double m1[D], M2[D * D], b = invman_equiprobable_x_max(a);
  size_t i, j, k;
  int kind;
  for (kind = 0; kind < 2; kind++) {
    invman_data data = diag_data(kind ? INVMAN_CYLINDER : INVMAN_STRIPE, D, N, 9 + (uint64_t)kind);
    invman_data few = data;
    double phi_a = exp(-a * a / 2) / sqrt(2 * diag_pi), phi_b = exp(-b * b / 2) / sqrt(2 * diag_pi);
    few.n = 50;
    CHECK(invman_stein_moments(NULL, &data, m1, M2) == INVMAN_OK);
    for (i = 0; i < D; i++) { /* an entry's variance is at most 1/n, on the diagonal 2/n; four sigma */
      double first = kind == 0 && i == 0 ? -2 * (phi_a - phi_b) : 0;
      CLOSE(m1[i], first, 4 / sqrt((double)N));
      for (j = 0; j < D; j++) {
        double second = i != j ? 0 : kind ? (i < 2 ? log(2.0) : 0) : i == 0 ? -2 * (a * phi_a - b * phi_b) : 0;
        CLOSE(M2[i * D + j], second, 4 * sqrt((i == j ? 2.0 : 1.0) / N));
        CHECK(M2[i * D + j] == M2[j * D + i]);
      }
    }
    if (kind == 0) { /* the values of the closed forms */
      CLOSE(-2 * (phi_a - phi_b), -0.3676, 1e-4);
      CLOSE(-2 * (a * phi_a - b * phi_b), 0.6973, 1e-4);
    }
    CHECK(invman_stein_moments(NULL, &few, m1, M2) == INVMAN_OK);
    for (i = 0; i < D; i++) {
      double sum = 0;
      for (k = 0; k < 50; k++) sum += data.y[k] * data.x[k * D + i] / 50;
      CLOSE(m1[i], sum, 1e-14);
      for (j = 0; j < D; j++) {
        for (sum = 0, k = 0; k < 50; k++)
          sum += data.y[k] * (data.x[k * D + i] * data.x[k * D + j] - (i == j ? 1 : 0)) / 50;
        CLOSE(M2[i * D + j], sum, 1e-14);
      }
    }
    CHECK(invman_stein_moments(NULL, &few, NULL, M2) == INVMAN_OK &&
          invman_stein_moments(NULL, &few, m1, NULL) == INVMAN_OK);
    invman_data_free(NULL, &data);
  }
}

static void diagnostics_stein_finds_the_directions(void) {
  /* One for the stripe, two for the cylinder. One more is taken for real where noise in fewer dimensions beats all 39
     draws of the whole: rarer than 1 in 40. At n = 2000 an angle is of the order of 1/(0.7 sqrt(n)) = 0.03. */
  enum { D = 5, N = 2000, SEEDS = 20, DRAWS = 39 };
  size_t seed, i, found, exact[2] = {0, 0};
  int kind;
  for (kind = 0; kind < 2; kind++)
    for (seed = 0; seed < SEEDS; seed++) {
      invman_data data = diag_data(kind ? INVMAN_CYLINDER : INVMAN_STRIPE, D, N, 100 + seed);
      size_t d_par = kind ? 2 : 1;
      double strength[D], V[D * D], noise = -1, axes[2 * D], m1[D], M2[D * D], S[D * D], lambda[D];
      invman_angles angles;
      invman_rng rng;
      invman_rng_seed(&rng, seed, 5);
      CHECK(invman_stein_directions(NULL, &data, DRAWS, &rng, strength, V, &noise, &found) == INVMAN_OK);
      CHECK(found >= d_par);
      exact[kind] += found == d_par;
      memset(axes, 0, sizeof axes);
      axes[0] = axes[D + 1] = 1;
      CHECK(invman_principal_angles(NULL, V, d_par, axes, d_par, D, NULL, &angles) == INVMAN_OK);
      CHECK(angles.largest < 0.2);
      CHECK(noise > 0 && strength[d_par - 1] > 2 * noise);
      if (seed > 0) {
        invman_data_free(NULL, &data);
        continue;
      }
      CHECK(invman_stein_moments(NULL, &data, m1, M2) == INVMAN_OK); /* as it is defined */
      diag_product(M2, M2, D, D, D, S);
      for (i = 0; i < D * D; i++) S[i] += m1[i / D] * m1[i % D];
      diag_eigen(S, D, lambda, NULL);
      for (i = 0; i < D; i++) {
        CLOSE(strength[i] * strength[i], lambda[i], 1e-13);
        diag_product(S, V + i * D, D, D, 1, m1);
        CLOSE(fabs(diag_dot(m1, V + i * D, D)), lambda[i], 1e-13);
      }
      CHECK(invman_stein_directions(NULL, &data, 0, NULL, strength, V, &noise, &found) == INVMAN_OK && found == d_par);
      CLOSE(noise, sqrt(5.0 * D / N), 1e-15);
      CHECK(invman_stein_directions(NULL, &data, 0, NULL, NULL, NULL, NULL, &found) == INVMAN_OK && found == d_par);
      CHECK(invman_stein_directions(NULL, &data, 0, NULL, strength, NULL, NULL, NULL) == INVMAN_OK);
      invman_data_free(NULL, &data);
    }
  CHECK(exact[0] >= 17 && exact[1] >= 17);
}

/* Moments that no permutation changes tie with the null: one point that is not 0, all points the same, one far away
   among others whose moments are exactly 0. With rounding of every kind, and none is a finding. */
static void diagnostics_stein_ties(void) {
  enum { TRIALS = 300, D = 6, N = 80 };
  double x[D * N], y[N], noise, strength[D];
  invman_data data;
  invman_rng rng;
  size_t trial, i, j, found;
  invman_rng_seed(&rng, 41, 1);
  data.x = x;
  data.y = y;
  for (trial = 0; trial < TRIALS; trial++) {
    double scale = exp(6 * invman_rng_normal(&rng)), point[D];
    data.d = 1 + invman_i_below(&rng, D);
    data.n = 2 * (5 + invman_i_below(&rng, N / 2 - 4));
    for (j = 0; j < data.d; j++) point[j] = scale * invman_rng_normal(&rng);
    for (i = 0; i < data.n; i++) {
      y[i] = i % 2 ? 1 : -1;
      for (j = 0; j < data.d; j++) x[i * data.d + j] = trial % 3 == 1 || i == 0 ? point[j] : 0;
      if (trial % 3 == 2 && i > 0) x[i * data.d] = 0.1 * scale;
    }
    invman_i_shuffle(y, data.n, &rng);
    CHECK(invman_stein_directions(NULL, &data, 9, &rng, strength, NULL, &noise, &found) == INVMAN_OK);
    CHECK(found == 0);
  }
  for (i = 0; i < N; i++) x[i] = y[i] = i % 2 ? 1 : -1; /* what is no tie is found */
  data.d = 1, data.n = N;
  CHECK(invman_stein_directions(NULL, &data, 9, &rng, strength, NULL, &noise, &found) == INVMAN_OK && found == 1);
}

static size_t diag_false_finds(size_t d, size_t n, size_t seeds, size_t draws) {
  size_t seed, found, finds = 0, i;
  for (seed = 0; seed < seeds; seed++) {
    invman_data data = diag_data(INVMAN_STRIPE, d, n, 300 + seed);
    invman_rng rng;
    invman_rng_seed(&rng, seed, 6);
    for (i = n; i > 1; i--) {
      size_t j = invman_i_below(&rng, i);
      double swap = data.y[i - 1];
      data.y[i - 1] = data.y[j], data.y[j] = swap;
    }
    CHECK(invman_stein_directions(NULL, &data, draws, &rng, NULL, NULL, NULL, &found) == INVMAN_OK);
    finds += found > 0;
    invman_data_free(NULL, &data);
  }
  return finds;
}

static void diagnostics_stein_finds_nothing_in_noise(void) {
  /* One in draws + 1: 2 of 40 and, where it can be told from both sides, 75 of 300; four times sqrt(n q (1 - q)). */
  CHECK(diag_false_finds(5, 400, 40, 19) <= 7);
  {
    size_t finds = diag_false_finds(3, 120, 300, 3);
    CHECK(finds >= 45 && finds <= 105);
  }
  CHECK(diag_false_finds(20, 4000, 5, 0) == 0); /* for n >> d >> 1 chance gives 2 sqrt(d/n) */
}

static void diagnostics_metric_closed_forms(void) {
  enum { H = 30, D = 4, N = 6 };
  invman_net net = diag_net(H, D, 10), small = diag_net(2, 3, 11);
  double *x = normals(N * D, 12), g[N * D * D], volume[N], factor[N], scaled[N * D * D], lambda[D];
  size_t i, j, k, l, flips = 0;
  CHECK(invman_pullback_metric(NULL, &net, x, N, 2, g, volume, factor) == INVMAN_OK);
  for (i = 0; i < N; i++) {
    double *G = g + i * D * D, sum, det = 0, e[D], step[2 * D], K[4], form;
    for (j = 0; j < D; j++)
      for (l = 0; l < D; l++) {
        for (sum = 0, k = 0; k < H; k++)
          if (diag_z(&net, k, x + i * D) > 0) sum += net.w[k * D + j] * net.w[k * D + l];
        CLOSE(G[j * D + l], 2 * sum / (H * D), 1e-14);
      }
    diag_eigen(G, D, lambda, NULL);
    CHECK(lambda[D - 1] > 0);
    for (j = 0; j < D; j++) det += 0.5 * log(lambda[j]);
    CLOSE(volume[i], det, 1e-11);
    CLOSE(factor[i], invman_metric_amplification(G, D, 2), 1e-14);
    CLOSE(factor[i], sqrt((G[0] + G[5]) / (G[10] + G[15])), 1e-14);
    /* |Phi(x+e) - Phi(x)|^2 = e'ge while no neuron flips, from the features and from their kernel (h that of beta) */
    for (j = 0; j < D; j++) {
      e[j] = 1e-3 * cos((double)(i + 3 * j));
      step[j] = x[i * D + j], step[D + j] = x[i * D + j] + e[j];
    }
    for (sum = 0, flips = 0, k = 0; k < H; k++) {
      double z0 = diag_z(&net, k, step), z1 = diag_z(&net, k, step + D);
      flips += (z0 > 0) != (z1 > 0);
      z0 = fmax(z0, 0), z1 = fmax(z1, 0);
      sum += 2 * (z1 - z0) * (z1 - z0) / H;
    }
    if (flips > 0) continue;
    diag_product(G, e, D, D, 1, lambda);
    form = diag_dot(e, lambda, D);
    CLOSE(form, sum, 1e-10 * form);
    CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_LAST_LAYER, step, 2, NULL, 0, K) == INVMAN_OK);
    CLOSE(form, H * (K[0] + K[3] - 2 * K[1]), 1e-7 * form);
  }
  for (k = 0; k < H * D; k++) net.w[k] *= 3;
  for (k = 0; k < H; k++) net.b[k] *= 3;
  CHECK(invman_pullback_metric(NULL, &net, x, N, 2, scaled, NULL, NULL) == INVMAN_OK);
  for (i = 0; i < N * D * D; i++) CLOSE(scaled[i], 9 * g[i], 1e-13);
  CHECK(invman_pullback_metric(NULL, &net, x, N, 2, NULL, scaled, NULL) == INVMAN_OK);
  for (i = 0; i < N; i++) CLOSE(scaled[i], volume[i] + D * log(3.0), 1e-12);
  CHECK(invman_pullback_metric(NULL, &net, x, N, 2, NULL, NULL, scaled) == INVMAN_OK);
  for (i = 0; i < N; i++) CLOSE(scaled[i], factor[i], 1e-13);
  CHECK(invman_pullback_metric(NULL, &small, x, 1, 1, NULL, volume, NULL) == INVMAN_OK); /* two neurons, three inputs */
  CHECK(volume[0] == -HUGE_VAL);
  for (k = 0; k < H; k++) net.w[k * D + 2] = net.w[k * D + 3] = 0;
  CHECK(invman_pullback_metric(NULL, &net, x, N, 2, g, volume, factor) == INVMAN_OK);
  for (i = 0; i < N; i++) CHECK(volume[i] == -HUGE_VAL && factor[i] == HUGE_VAL && g[i * D * D + 10] == 0);
  invman_net_free(NULL, &net), invman_net_free(NULL, &small), free(x);
}

static void diagnostics_metric_at_the_start(void) {
  /* g = 1/d at every point. Of a neuron 2 omega_i omega_j 1[z > 0]/d has second moment 2 times 3/d^2 or 1/d^2, less
     1/d^2 on the diagonal: sqrt(5/h)/d and sqrt(2/h)/d; half the sum of d logarithms: sqrt(5 d/h)/2. Four of each. */
  enum { H = 200000, D = 4, N = 3 };
  invman_net net = diag_net(H, D, 13);
  double *x = normals(N * D, 14), g[N * D * D], volume[N], factor[N];
  size_t i, j, k;
  for (i = 0; i < D; i++) x[i] *= 3; /* far out, and at the origin: the same */
  for (i = 0; i < D; i++) x[D + i] = 0;
  CHECK(invman_pullback_metric(NULL, &net, x, N, 1, g, volume, factor) == INVMAN_OK);
  for (i = 0; i < N; i++) {
    for (j = 0; j < D * D; j++)
      CLOSE(g[i * D * D + j], j % (D + 1) == 0 ? 1.0 / D : 0, 4 * sqrt((j % (D + 1) == 0 ? 5.0 : 2.0) / H) / D);
    CLOSE(volume[i], -0.5 * D * log((double)D), 4 * sqrt(5.0 * D / H) / 2);
    CLOSE(factor[i], 1, 4 * 0.5 * sqrt(5.0 / H * (1 + 1.0 / (D - 1))));
  }
  for (k = 0; k < H; k++)
    for (j = 1; j < D; j++) net.w[k * D + j] /= 3;
  CHECK(invman_pullback_metric(NULL, &net, x, N, 1, NULL, NULL, factor) == INVMAN_OK);
  for (i = 0; i < N; i++) CLOSE(factor[i], 3, 3 * 4 * 0.5 * sqrt(5.0 / H * (1 + 1.0 / (D - 1))));
  invman_net_free(NULL, &net), free(x);
}

/* ---- neural collapse */

/* All of it from the features themselves, with d x d covariances. */
static invman_collapse diag_collapse(const double *x, size_t n, size_t d, const double *y) {
  invman_collapse c;
  double *mean = (double *)calloc(n * d, sizeof(double)), *all = (double *)calloc(d, sizeof(double));
  double *W = (double *)calloc(d * d, sizeof(double)), *B = (double *)calloc(d * d, sizeof(double));
  double *lambda = (double *)malloc(d * sizeof(double)), *V = (double *)malloc(d * d * sizeof(double));
  double *size = (double *)calloc(n, sizeof(double)), *label = (double *)malloc(n * sizeof(double)), norms = 0,
         squares = 0;
  size_t i, j, k, l, *of = (size_t *)malloc(n * sizeof(size_t)), C = 0;
  memset(&c, 0, sizeof c);
  for (i = 0; i < n; i++) {
    for (k = 0; k < C && label[k] != y[i]; k++) {}
    if (k == C) label[C++] = y[i];
    of[i] = k, size[k] += 1;
    for (j = 0; j < d; j++) mean[k * d + j] += x[i * d + j], all[j] += x[i * d + j] / (double)n;
  }
  c.classes = C;
  for (k = 0; k < C; k++)
    for (j = 0; j < d; j++) mean[k * d + j] /= size[k];
  for (i = 0; i < n; i++)
    for (j = 0; j < d; j++)
      for (l = 0; l < d; l++)
        W[j * d + l] += (x[i * d + j] - mean[of[i] * d + j]) * (x[i * d + l] - mean[of[i] * d + l]) / (double)n;
  for (i = 0; i < n; i++) { /* nearest mean, before it is centred */
    double best = HUGE_VAL, own = 0;
    for (k = 0; k < C; k++) {
      double far = 0;
      for (j = 0; j < d; j++) far += (x[i * d + j] - mean[k * d + j]) * (x[i * d + j] - mean[k * d + j]);
      if (k == of[i]) own = far;
      else best = fmin(best, far);
    }
    c.nearest_mean_error += (best < own ? 1 : 0) / (double)n;
  }
  for (k = 0; k < C; k++)
    for (l = 0; l < k; l++)
      c.uncentred_cosine = fmax(c.uncentred_cosine, fabs(diag_dot(mean + k * d, mean + l * d, d)) /
                                                        (diag_norm(mean + k * d, d) * diag_norm(mean + l * d, d)));
  for (k = 0; k < C; k++)
    for (j = 0; j < d; j++) mean[k * d + j] -= all[j];
  for (k = 0; k < C; k++) {
    double square = diag_dot(mean + k * d, mean + k * d, d);
    norms += square / (double)C;
    for (j = 0; j < d; j++)
      for (l = 0; l < d; l++) B[j * d + l] += mean[k * d + j] * mean[k * d + l] / (double)C;
    for (l = 0; l < k; l++)
      c.nc2_angles = fmax(c.nc2_angles, fabs(diag_dot(mean + k * d, mean + l * d, d) /
                                                 (diag_norm(mean + k * d, d) * diag_norm(mean + l * d, d)) +
                                             1 / ((double)C - 1)));
  }
  for (k = 0; k < C; k++) squares += pow(diag_dot(mean + k * d, mean + k * d, d) - norms, 2) / (double)C;
  c.nc2_norms = sqrt(squares) / norms;
  for (j = 0; j < d; j++) c.within += W[j * d + j], c.between += B[j * d + j];
  c.nc1_trace = c.within / c.between;
  diag_eigen(B, d, lambda, V);
  for (k = 0; k < d; k++) {
    if (lambda[k] <= 1e-11 * lambda[0]) continue;
    diag_product(W, V + k * d, d, d, 1, all);
    c.nc1 += diag_dot(all, V + k * d, d) / (lambda[k] * (double)C);
  }
  free(mean), free(all), free(W), free(B), free(lambda), free(V), free(size), free(label), free(of);
  return c;
}

static void diag_same_collapse(const invman_collapse *a, const invman_collapse *b, double scale, double tol) {
  CHECK(a->classes == b->classes);
  CLOSE(a->within, scale * b->within, tol * scale * b->within);
  CLOSE(a->between, scale * b->between, tol * scale * b->between);
  CLOSE(a->nc1_trace, b->nc1_trace, tol * b->nc1_trace);
  CLOSE(a->nc1, b->nc1, 10 * tol * b->nc1);
  CLOSE(a->nc2_norms, b->nc2_norms, tol);
  CLOSE(a->nc2_angles, b->nc2_angles, tol);
  CLOSE(a->nearest_mean_error, b->nearest_mean_error, 1e-15);
}

static void diagnostics_collapse_is_the_plain_one(void) {
  enum { N = 30 };
  static const double names[6] = {0.5, -3, 7, 1e9, -0.25, 0};
  size_t trial, i, j, order[N];
  invman_rng rng;
  invman_rng_seed(&rng, 15, 1);
  for (trial = 0; trial < 60; trial++) { /* classes of unequal sizes; more classes than dimensions; any labels */
    size_t d = 1 + trial % 8, C = 2 + trial % 5;
    double *x = normals(N * d, 400 + trial), y[N], *K, *moved, z[N];
    invman_collapse a, b, plain;
    for (i = 0; i < N; i++) {
      size_t c = i < C ? i : invman_i_below(&rng, C);
      y[i] = names[c];
      for (j = 0; j < d; j++) x[i * d + j] += sin((double)(5 * c + j + trial)) * (double)(trial % 4) + 0.2;
    }
    plain = diag_collapse(x, N, d, y);
    K = diag_gram(x, N, d);
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    CHECK(invman_neural_collapse(NULL, K, y, N, &a) == INVMAN_OK);
    diag_same_collapse(&a, &plain, 1, 1e-9);
    CLOSE(a.uncentred_cosine, plain.uncentred_cosine, 1e-11);
    if (C == 2) CLOSE(a.nc2_angles, 0, 1e-12);
    for (i = 0; i < N * N; i++) K[i] *= 1e-120; /* any scale */
    CHECK(invman_neural_collapse(NULL, K, y, N, &b) == INVMAN_OK);
    diag_same_collapse(&b, &a, 1e-120, 1e-11);
    CLOSE(b.uncentred_cosine, a.uncentred_cosine, 1e-12);
    free(K);
    diag_permutation(order, N, &rng); /* any order and, of the features, translation */
    moved = (double *)malloc(N * d * sizeof(double));
    for (i = 0; i < N; i++) {
      z[i] = y[order[i]];
      for (j = 0; j < d; j++) moved[i * d + j] = x[order[i] * d + j] + 2.5 - (double)j;
    }
    K = diag_gram(moved, N, d);
    CHECK(invman_neural_collapse(NULL, K, z, N, &b) == INVMAN_OK);
    diag_same_collapse(&b, &a, 1, 1e-8);
    free(x), free(K), free(moved);
  }
}

static void diagnostics_collapse_closed_forms(void) {
  enum { C = 3, M = 5, N = C * M };
  static const double pairs[8] = {1, 0, -1, 0, 0, 1, 0, -1}, two[4] = {1, 1, 2, 2};
  double K[N * N], y[N], *G;
  invman_collapse c;
  size_t i;
  memset(&c, 0, sizeof c);
  for (i = 0; i < N; i++) y[i] = (double)(i % C);
  for (i = 0; i < N * N; i++) K[i] = i % (N + 1) == 0; /* C (n-1)/(C-1) */
  CHECK(invman_neural_collapse(NULL, K, y, N, &c) == INVMAN_OK && c.classes == C);
  CLOSE(c.nc1_trace, C * (M - 1.0) / (C - 1.0), 1e-13);
  CLOSE(c.within, 1 - 1.0 / M, 1e-15);
  CLOSE(c.nc2_norms, 0, 1e-14);
  CLOSE(c.nc2_angles, 0, 1e-13);
  CLOSE(c.uncentred_cosine, 0, 1e-15);
  CHECK(c.nearest_mean_error == 0);
  for (i = 0; i < N * N; i++) K[i] = i / N % C == i % N % C ? 1 : 0; /* all collapsed */
  CHECK(invman_neural_collapse(NULL, K, y, N, &c) == INVMAN_OK);
  CLOSE(c.nc1_trace, 0, 1e-14);
  CLOSE(c.nc1, 0, 1e-13);
  CLOSE(c.nc2_norms, 0, 1e-14);
  CLOSE(c.nc2_angles, 0, 1e-13);
  CLOSE(c.between, 2.0 / 3, 1e-14); /* |e_c - mean|^2 = 1 - 1/C */
  CHECK(c.nearest_mean_error == 0);
  G = diag_gram(pairs, 4, 2); /* two means at the origin */
  CHECK(invman_neural_collapse(NULL, G, two, 4, &c) == INVMAN_OK);
  CHECK(c.nc1 == HUGE_VAL && c.nc1_trace == HUGE_VAL && c.within == 1);
  free(G);
}

/* ---- intrinsic dimension */

static void diagnostics_distances(void) {
  enum { N = 40, D = 3 };
  double *x = normals(N * D, 31), *plain, *K, P[N * N], G[N * N], all[N * N], value;
  size_t i, j, m = 0;
  memcpy(x + D, x, D * sizeof(double)); /* two equal points */
  plain = diag_distances(x, N, D), K = diag_gram(x, N, D);
  CHECK(invman_point_distances(NULL, x, N, D, P) == INVMAN_OK && invman_kernel_distances(NULL, K, N, G) == INVMAN_OK);
  CLOSE(largest_difference(P, plain, N * N), 0, 1e-14);
  CLOSE(largest_difference(G, plain, N * N), 0, 1e-12);
  CHECK(P[1] == 0 && G[1] == 0);
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) {
      CHECK(P[i * N + j] == P[j * N + i] && G[i * N + j] == G[j * N + i]);
      if (i == j) CHECK(P[i * N + i] == 0 && G[i * N + i] == 0);
      if (i < j) all[m++] = P[i * N + j];
    }
  CHECK(invman_median_distance(NULL, P, N, &value) == INVMAN_OK);
  CLOSE(value, median(all, m), 0);
  for (i = 0; i < 9; i++) G[i] = P[i / 3 * N + i % 3]; /* 3 values, an odd count; 780 above */
  all[0] = G[1], all[1] = G[2], all[2] = G[5];
  CHECK(invman_median_distance(NULL, G, 3, &value) == INVMAN_OK && value == median(all, 3));
  K[1] = K[N] = K[0] * (1 + 1e-15); /* rounding may make a squared distance negative: that is 0 */
  CHECK(invman_kernel_distances(NULL, K, N, G) == INVMAN_OK && G[1] == 0 && G[N] == 0);
  free(x), free(plain), free(K);
}

static double diag_two_nn(const double *D, size_t n, int method) {
  double value = -1;
  CHECK(invman_two_nn(NULL, D, n, method, &value) == INVMAN_OK);
  return value;
}

static void diag_local(const double *D, size_t n, size_t k, int method, double *harmonic, double *geometric) {
  CHECK(invman_local_dimension(NULL, D, n, k, method, NULL, harmonic, geometric) == INVMAN_OK);
}

static void diagnostics_dimension_is_the_plain_one(void) { /* sorted distances */
  enum { N = 60, DIM = 3 };
  double *x = normals(N * DIM, 33), *D = diag_distances(x, N, DIM), *K = diag_gram(x, N, DIM), row[N], mu[N], lid[N];
  double sum = 0, xy = 0, xx = 0, value, harmonic, geometric;
  size_t i, j, k;
  int method;
  for (i = 0; i < N; i++) {
    memcpy(row, D + i * N, sizeof row);
    qsort(row, N, sizeof(double), by_value);
    mu[i] = log(row[2] / row[1]);
    sum += mu[i];
  }
  CLOSE(diag_two_nn(D, N, INVMAN_TWO_NN_MLE), (N - 1) / sum, 1e-12);
  CHECK(invman_intrinsic_dimension(NULL, K, N, &value, NULL) == INVMAN_OK);
  CLOSE(value, (N + 1) / sum, 1e-10);
  qsort(mu, N, sizeof(double), by_value);
  for (i = 0; i < N * 9 / 10; i++) {
    double F = (double)(i + 1) / N;
    xy += mu[i] * -log(1 - F), xx += mu[i] * mu[i];
  }
  CLOSE(diag_two_nn(D, N, INVMAN_TWO_NN_FIT), xy / xx, 1e-12);
  for (method = 0; method < 3; method++)
    for (k = 2; k < N; k += 19) {
      double logs = 0, inverse = 0;
      CHECK(invman_local_dimension(NULL, D, N, k, method, lid, &harmonic, &geometric) == INVMAN_OK);
      for (i = 0; i < N; i++) {
        double mean = 0, wanted;
        memcpy(row, D + i * N, sizeof row);
        qsort(row, N, sizeof(double), by_value);
        for (j = 1; j <= k; j++) mean += (method != INVMAN_LID_MOMENTS ? log(row[j] / row[k]) : row[j]) / (double)k;
        wanted = method != INVMAN_LID_MOMENTS ? -1 / mean : mean / (row[k] - mean);
        if (method == INVMAN_LID_MLE) wanted *= (double)(k - 1) / (double)k;
        CLOSE(lid[i], wanted, 1e-11 * wanted);
        logs += log(wanted) / N, inverse += 1 / (wanted * N);
      }
      CLOSE(harmonic, 1 / inverse, 1e-11 / inverse);
      CLOSE(geometric, exp(logs), 1e-11 * exp(logs));
      CHECK(harmonic <= geometric * (1 + 1e-13));
    }
  free(x), free(D), free(K);
}

static void diagnostics_dimension_beyond_quotients(void) { /* r_1/r_2 = 1e-400 is no number; LID = 2/ln 1e400 */
  static const double x[3] = {0, 1e-200, 1e200};
  double D[9], lid[3], harmonic = 0;
  CHECK(invman_point_distances(NULL, x, 3, 1, D) == INVMAN_OK);
  D[1] = D[3] = 1e-200; /* which the points' own scale does not resolve */
  CHECK(invman_local_dimension(NULL, D, 3, 2, INVMAN_LID_MLE, lid, &harmonic, NULL) == INVMAN_OK);
  CLOSE(lid[0], 1 / (400 * log(10.0)), 1e-14);
  CHECK(lid[2] == HUGE_VAL && harmonic > 0 && harmonic < 1);
}

static void diagnostics_dimension_closed_forms(void) {
  enum { K = 20, N = K + 1 };
  static const double line[3] = {0, 1, 3}; /* mu = 3, 2, 3/2 */
  double D[N * N], lid[N], harmonic, geometric, *E, mean = 0;
  size_t i, j;
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) D[i * N + j] = i == j ? 0 : 1.7 * pow((double)(i > j ? i : j) / K, 1 / 3.5);
  for (j = 1; j <= K; j++) mean += pow((double)j / K, 1 / 3.5) / K;
  /* r_j = w (j/k)^(1/d) around the first point: d (k-1)/(k ln k - ln k!), and with k in place of k - 1 */
  CHECK(invman_local_dimension(NULL, D, N, K, INVMAN_LID_MLE, lid, NULL, NULL) == INVMAN_OK);
  CLOSE(lid[0], 3.5 * (K - 1) / (K * log((double)K) - lgamma(K + 1.0)), 1e-12);
  CHECK(invman_local_dimension(NULL, D, N, K, INVMAN_LID_AMSALEG, lid, NULL, NULL) == INVMAN_OK);
  CLOSE(lid[0], 3.9820174345, 1e-10);
  CLOSE(lid[0], 3.5 * K / (K * log((double)K) - lgamma(K + 1.0)), 1e-12);
  CHECK(invman_local_dimension(NULL, D, N, K, INVMAN_LID_MOMENTS, lid, NULL, NULL) == INVMAN_OK);
  CLOSE(lid[0], mean / (1 - mean), 1e-12);
  E = diag_distances(line, 3, 1);
  CLOSE(diag_two_nn(E, 3, INVMAN_TWO_NN_MLE), 2 / log(9.0), 1e-14);
  free(E);
  for (i = 0; i < N * N; i++) D[i] = i % (N + 1) == 0 ? 0 : 0.3; /* a simplex */
  CHECK(diag_two_nn(D, N, INVMAN_TWO_NN_MLE) == HUGE_VAL && diag_two_nn(D, N, INVMAN_TWO_NN_FIT) == HUGE_VAL);
  for (i = 0; i < 3; i++) {
    CHECK(invman_local_dimension(NULL, D, N, 5, (int)i, lid, &harmonic, &geometric) == INVMAN_OK);
    CHECK(lid[N - 1] == HUGE_VAL && harmonic == HUGE_VAL && geometric == HUGE_VAL);
  }
  CLOSE(invman_lid_distance(2, 8), log(4.0), 1e-15);
  CLOSE(invman_lid_distance(8, 2), log(4.0), 1e-15);
  CHECK(invman_lid_distance(5, 5) == 0 && invman_lid_distance(HUGE_VAL, HUGE_VAL) == 0);
  CHECK(invman_lid_distance(5, HUGE_VAL) == HUGE_VAL);
}

static void diagnostics_dimension_of_tori(void) {
  /* Points on a flat torus of d dimensions, whose distances know no border: the mean of 1/lid is 1/d for k - 1, and
     (k-1)/(k d) for k, whatever k is. A point's 1/lid deviates by 1/(d sqrt(k-1)); neighbours share distances. */
  enum { N = 1200 };
  static const size_t dims[3] = {1, 2, 5}, ks[4] = {2, 3, 5, 20};
  double *D = (double *)malloc(N * N * sizeof(double)), *x = (double *)malloc(5 * N * sizeof(double));
  size_t c, m, i, j, l;
  invman_rng rng;
  invman_rng_seed(&rng, 42, 1);
  for (c = 0; c < 3; c++) {
    double d = (double)dims[c], harmonic[2], geometric;
    for (i = 0; i < dims[c] * N; i++) x[i] = invman_rng_uniform(&rng);
    for (i = 0; i < N * N; i++) D[i] = 0;
    for (i = 0; i < N; i++)
      for (j = 0; j < i; j++) {
        for (l = 0; l < dims[c]; l++) {
          double away = fabs(x[i * dims[c] + l] - x[j * dims[c] + l]);
          D[i * N + j] += fmin(away, 1 - away) * fmin(away, 1 - away);
        }
        D[i * N + j] = D[j * N + i] = sqrt(D[i * N + j]);
      }
    for (m = 0; m < 4; m++) {
      double k = (double)ks[m];
      diag_local(D, N, ks[m], INVMAN_LID_MLE, harmonic, &geometric);
      diag_local(D, N, ks[m], INVMAN_LID_AMSALEG, harmonic + 1, NULL);
      CLOSE(harmonic[0], d, 5 * d / sqrt((k - 1) * N) + (c == 2 && m == 3 ? 0.05 : 0));
      CLOSE(harmonic[1], harmonic[0] * k / (k - 1), 1e-12);
      CHECK(geometric > harmonic[0] && geometric <= DBL_MAX);
    }
  }
  free(D), free(x);
}

static void diagnostics_dimension_of_lattices(void) {
  /* Where the k nearest are equally far, up to rounding, a point's own value is infinite: the means are of the others,
     by all methods; at the border of a square lattice they are not equal. */
  enum { SIDE = 9, N = SIDE * SIDE };
  static const double steps[4] = {1, 0.1, 1e-9, 1 / 3.0};
  double x[2 * N], *D, lid[N], harmonic, geometric;
  size_t s, i;
  int method;
  for (s = 0; s < 4; s++) {
    for (i = 0; i < N; i++) x[2 * i] = steps[s] * (double)(i / SIDE), x[2 * i + 1] = steps[s] * (double)(i % SIDE);
    D = diag_distances(x, N, 2);
    CHECK(diag_two_nn(D, N, INVMAN_TWO_NN_MLE) == HUGE_VAL && diag_two_nn(D, N, INVMAN_TWO_NN_FIT) == HUGE_VAL);
    for (method = 0; method < 3; method++) {
      double inverse = 0, logs = 0;
      size_t infinite = 0;
      CHECK(invman_local_dimension(NULL, D, N, 4, method, lid, &harmonic, &geometric) == INVMAN_OK);
      for (i = 0; i < N; i++) {
        infinite += lid[i] > DBL_MAX;
        CHECK((lid[i] > DBL_MAX) == (i / SIDE % (SIDE - 1) > 0 && i % SIDE % (SIDE - 1) > 0));
        inverse += 1 / lid[i] / N;
        if (lid[i] <= DBL_MAX) logs += log(lid[i]) / (N - (SIDE - 2) * (SIDE - 2));
      }
      CHECK(infinite == (SIDE - 2) * (SIDE - 2));
      CLOSE(harmonic, 1 / inverse, 1e-11 / inverse);
      CLOSE(geometric, exp(logs), 1e-11 * exp(logs));
    }
    free(D);
  }
}

static void diagnostics_dimension_invariances(void) { /* rotation, translation, scale, zeros, order, duplicates */
  enum { N = 70, DIM = 3, PAD = 5 };
  double *x = normals(N * DIM, 35), *Q = diag_rotation(PAD, 36), y[N * PAD], z[N * PAD], *D, *E, length[2], median_[2];
  double harmonic[2], geometric[2], *copies = normals((N + 2) * DIM, 38), lid[N + 2];
  size_t trial, i, j, order[N];
  invman_rng rng;
  invman_rng_seed(&rng, 37, 1);
  D = diag_distances(x, N, DIM);
  for (trial = 0; trial < 4; trial++) {
    double c = trial == 1 ? 1e150 : trial == 2 ? 1e-150 : 1.3;
    int method;
    diag_permutation(order, N, &rng);
    memset(y, 0, sizeof y);
    for (i = 0; i < N; i++)
      for (j = 0; j < DIM; j++) y[i * PAD + j] = x[order[i] * DIM + j];
    diag_product(y, Q, N, PAD, PAD, z);
    for (i = 0; i < N * PAD; i++) z[i] += trial == 3 ? (double)(i % PAD) : 0;
    E = diag_distances(z, N, PAD);
    for (i = 0; i < N * N; i++) E[i] *= c;
    for (method = 0; method < 3; method++) {
      if (method < 2) CLOSE(diag_two_nn(E, N, method), diag_two_nn(D, N, method), 1e-10);
      diag_local(D, N, 9, method, harmonic, geometric), diag_local(E, N, 9, method, harmonic + 1, geometric + 1);
      CLOSE(harmonic[1], harmonic[0], 1e-10);
      CLOSE(geometric[1], geometric[0], 1e-10);
    }
    CHECK(invman_mst_length(NULL, D, N, length) == INVMAN_OK && invman_mst_length(NULL, E, N, length + 1) == INVMAN_OK);
    CLOSE(length[1] / c, length[0], 1e-11 * length[0]);
    CHECK(invman_median_distance(NULL, D, N, median_) == INVMAN_OK &&
          invman_median_distance(NULL, E, N, median_ + 1) == INVMAN_OK);
    CLOSE(median_[1] / c, median_[0], 1e-13 * median_[0]);
    free(E);
  }
  free(D);
  /* Points with an equal are left out, as centres and as neighbours. */
  memcpy(copies, x, N * DIM * sizeof(double));
  memcpy(copies + N * DIM, copies, DIM * sizeof(double)), memcpy(copies + (N + 1) * DIM, copies, DIM * sizeof(double));
  D = diag_distances(copies + DIM, N - 1, DIM), E = diag_distances(copies, N + 2, DIM);
  for (i = 0; i < 3; i++) {
    if (i < 2) CHECK(diag_two_nn(E, N + 2, (int)i) == diag_two_nn(D, N - 1, (int)i));
    diag_local(D, N - 1, 6, (int)i, harmonic, geometric);
    CHECK(invman_local_dimension(NULL, E, N + 2, 6, (int)i, lid, harmonic + 1, geometric + 1) == INVMAN_OK);
    CLOSE(harmonic[1], harmonic[0], 1e-13);
    CLOSE(geometric[1], geometric[0], 1e-13);
    CHECK(lid[0] == 0 && lid[N] == 0 && lid[N + 1] == 0 && lid[1] > 0);
  }
  free(x), free(Q), free(D), free(E), free(copies);
}

static void diagnostics_dimension_of_gaussians(void) {
  /* Means over 8 seeds of 1000 points, measured once by another program: TwoNN 1.01, 2.04, 5.07, 9.62; local by
     Amsaleg's form, harmonic mean of k = 20: 1.06, 2.14, 5.20, 9.33. One seed deviates by some 5 % for the first: 4 sqrt(2) 5 %/sqrt(8) = 10 %
     is four sigma of the difference of two such means; the second takes twenty times as many distances: 4 %. */
  static const size_t dims[4] = {1, 2, 5, 10};
  static const double two[4] = {1.01, 2.04, 5.07, 9.62}, local[4] = {1.06, 2.14, 5.20, 9.33};
  enum { N = 1000, SEEDS = 8 };
  double *D = (double *)malloc(N * N * sizeof(double));
  size_t k, seed;
  for (k = 0; k < 4; k++) {
    double mean[2] = {0, 0}, harmonic;
    for (seed = 0; seed < SEEDS; seed++) {
      double *x = normals(N * dims[k], 500 + seed);
      CHECK(invman_point_distances(NULL, x, N, dims[k], D) == INVMAN_OK);
      mean[0] += diag_two_nn(D, N, INVMAN_TWO_NN_MLE) / SEEDS;
      diag_local(D, N, 20, INVMAN_LID_AMSALEG, &harmonic, NULL);
      mean[1] += harmonic / SEEDS;
      free(x);
    }
    CLOSE(mean[0], two[k], 0.1 * two[k]);
    CLOSE(mean[1], local[k], 0.04 * local[k]);
  }
  free(D);
}

/* The shortest tree by joining what is nearest (Kruskal): edges in ascending order, unless their ends are joined. */
static double diag_tree(const double *D, size_t n) {
  size_t *of = (size_t *)malloc(n * sizeof(size_t)), i, j, joined;
  double length = 0;
  for (i = 0; i < n; i++) of[i] = i;
  for (joined = 1; joined < n; joined++) {
    size_t a = 0, b = 0, old;
    double best = HUGE_VAL;
    for (i = 0; i < n; i++)
      for (j = 0; j < i; j++)
        if (of[i] != of[j] && D[i * n + j] < best) best = D[i * n + j], a = i, b = j;
    length += best, old = of[a];
    for (i = 0; i < n; i++)
      if (of[i] == old) of[i] = of[b];
  }
  free(of);
  return length;
}

static void diagnostics_tree(void) {
  enum { N = 160, DIM = 2, SIDE = 7, S = 9 };
  double *x = normals(N * DIM, 41), *D = diag_distances(x, N, DIM), length = -1, grid[2 * SIDE * SIDE], *E, K[S * S];
  double sizes[5], lengths[5], part[N * N], slope, dimension = -1, dist[S * S];
  size_t i, j, k, n;
  for (k = 0, n = N / 16; k < 5; k++, n *= 2) {
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++) part[i * n + j] = D[i * N + j];
    CHECK(invman_mst_length(NULL, part, n, &length) == INVMAN_OK);
    if (n <= 80) CLOSE(length, diag_tree(part, n), 1e-12 * length);
    sizes[k] = (double)n, lengths[k] = length;
  }
  CHECK(invman_fit_power_law(NULL, sizes, lengths, 5, &slope, NULL) == INVMAN_OK);
  CHECK(invman_mst_dimension(NULL, D, N, &dimension) == INVMAN_OK);
  CLOSE(dimension, 1 / (1 - slope), 1e-12 * dimension);
  for (i = 0; i < N * N; i++) D[i] *= 1e-100; /* no scale */
  CHECK(invman_mst_dimension(NULL, D, N, &length) == INVMAN_OK);
  CLOSE(length, dimension, 1e-10 * dimension);

  for (i = 0; i < SIDE * SIDE; i++) grid[2 * i] = (double)(i / SIDE), grid[2 * i + 1] = (double)(i % SIDE);
  E = diag_distances(grid, SIDE * SIDE, 2);
  CHECK(invman_mst_length(NULL, E, SIDE * SIDE, &length) == INVMAN_OK && length == SIDE * SIDE - 1);
  free(E);
  E = diag_distances(x, N, 1); /* on a line: from end to end */
  CHECK(invman_mst_length(NULL, E, N, &length) == INVMAN_OK);
  qsort(x, N, sizeof(double), by_value);
  CLOSE(length, x[N - 1] - x[0], 1e-13);
  free(E);
  for (i = 0; i < S * S; i++) K[i] = i % (S + 1) == 0 ? 1 : -1.0 / (S - 1); /* a simplex on the unit sphere */
  CHECK(invman_kernel_distances(NULL, K, S, dist) == INVMAN_OK);
  CHECK(invman_mst_length(NULL, dist, S, &length) == INVMAN_OK);
  CLOSE(length, (S - 1) * sqrt(2.0 * S / (S - 1)), 1e-14);
  CHECK(invman_mst_length(NULL, dist, 1, &length) == INVMAN_OK && length == 0);
  free(x), free(D);
}

static void diagnostics_mst_dimension(void) {
  /* Uniform in a cube: measured by another program for N = 250 .. 4000: 1.00, 1.97, 2.93, 4.58. With N = 1000 the
     shortest trees are of 62 points only, where more of the cube is boundary: a tenth of it is allowed, and 0.02 for a
     line, whose tree grows but by the gaps at its ends. The mean of 4 seeds. */
  enum { N = 1000, SEEDS = 4 };
  static const size_t dims[4] = {1, 2, 3, 5};
  static const double wanted[4] = {1, 1.97, 2.93, 4.58};
  double *D = (double *)malloc(N * N * sizeof(double));
  size_t k, seed, i;
  for (k = 0; k < 4; k++) {
    double mean = 0, dimension = -1;
    for (seed = 0; seed < SEEDS; seed++) {
      double *x = (double *)malloc(N * dims[k] * sizeof(double));
      invman_rng rng;
      invman_rng_seed(&rng, 600 + seed, dims[k]);
      for (i = 0; i < N * dims[k]; i++) x[i] = invman_rng_uniform(&rng);
      CHECK(invman_point_distances(NULL, x, N, dims[k], D) == INVMAN_OK);
      CHECK(invman_mst_dimension(NULL, D, N, &dimension) == INVMAN_OK);
      mean += dimension / SEEDS;
      free(x);
    }
    CLOSE(mean, wanted[k], k == 0 ? 0.02 : 0.1 * wanted[k]);
  }
  free(D);
}

/* ---- diffusion */

static double diag_diffusion(const double *D, size_t n, double sigma, double t) {
  double bits = -7;
  CHECK(invman_diffusion_entropy(NULL, D, n, sigma, t, &bits) == INVMAN_OK);
  return bits;
}

/* From the symmetric twin sqrt(q_i/q_j) P_ij of the row-normalised walk P = G/q. */
static double diag_walk_entropy(const double *D, size_t n, double sigma, double t) {
  double *P = (double *)malloc(n * n * sizeof(double)), *q = (double *)calloc(n, sizeof(double)), sum = 0, bits = 0;
  size_t i;
  for (i = 0; i < n * n; i++) P[i] = exp(-D[i] * D[i] / (2 * sigma * sigma)), q[i / n] += P[i];
  for (i = 0; i < n * n; i++) P[i] = P[i] / q[i / n] * sqrt(q[i / n] / q[i % n]);
  diag_eigen(P, n, q, NULL);
  CLOSE(q[0], 1, 1e-12);
  for (i = 1; i < n; i++) sum += pow(fabs(q[i]), t);
  for (i = 1; i < n; i++) {
    double p = pow(fabs(q[i]), t) / sum;
    if (p > 0) bits -= p * log(p) / log(2.0);
  }
  free(P), free(q);
  return bits;
}

static void diagnostics_diffusion_entropy(void) {
  enum { N = 24, DIM = 3, S = 9, C = 4 };
  static const double ts[4] = {1, 0.5, 2, 7};
  size_t trial, i, j, order[N];
  invman_rng rng;
  double E[S * S], far[C * 6 * C * 6];
  invman_rng_seed(&rng, 43, 1);
  for (trial = 0; trial < 16; trial++) {
    double *x = normals(N * DIM, 700 + trial), *D, t = ts[trial % 4], sigma = 0.4 + 0.3 * (double)(trial / 4), bits;
    double P[N * N];
    D = diag_distances(x, N, DIM);
    bits = diag_diffusion(D, N, sigma, t);
    CLOSE(bits, diag_walk_entropy(D, N, sigma, t), 1e-9);
    CHECK(bits >= 0 && bits <= log(N - 1.0) / log(2.0) + 1e-12);
    diag_permutation(order, N, &rng);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) P[i * N + j] = D[order[i] * N + order[j]] * 1e3; /* points and sigma scaled together */
    CLOSE(diag_diffusion(P, N, sigma * 1e3, t), bits, 1e-9);
    CLOSE(diag_diffusion(D, N, 0, 0), diag_walk_entropy(D, N, 10, 1), 1e-7); /* tiny eigenvalues at sigma = 10 */
    free(x), free(D);
  }
  for (trial = 0; trial < 10;
       trial++) { /* three points: lambda^2 - (tr P - 1) lambda + det P = 0, of the walk itself */
    double *x = normals(9, 720 + trial), *D = diag_distances(x, 3, 3), P[9], q[3] = {0, 0, 0}, tr, det, root, a, b;
    for (i = 0; i < 9; i++) P[i] = exp(-D[i] * D[i] / 2), q[i / 3] += P[i];
    for (i = 0; i < 9; i++) P[i] /= q[i / 3];
    tr = P[0] + P[4] + P[8] - 1;
    det = P[0] * (P[4] * P[8] - P[5] * P[7]) - P[1] * (P[3] * P[8] - P[5] * P[6]) + P[2] * (P[3] * P[7] - P[4] * P[6]);
    root = sqrt(tr * tr - 4 * det);
    a = (tr + root) / 2 / tr, b = (tr - root) / 2 / tr;
    CLOSE(diag_diffusion(D, 3, 1, 1), -(a * log(a) + b * log(b)) / log(2.0), 1e-11);
    free(x), free(D);
  }
  for (i = 0; i < S * S; i++) E[i] = i % (S + 1) == 0 ? 0 : sqrt(-2 * log(0.37)); /* all at one distance: for every t */
  for (i = 0; i < 4; i++) CLOSE(diag_diffusion(E, S, 1, ts[i]), log(S - 1.0) / log(2.0), 1e-13);
  for (i = 0; i < S * S; i++) E[i] = 0;
  CLOSE(diag_diffusion(E, S, 1, 1), 0, 0);
  for (i = 0; i < C * 6 * C * 6; i++)
    far[i] = i / (C * 6) % C == i % (C * 6) % C ? 0 : 100; /* four tight clusters, far apart */
  CLOSE(diag_diffusion(far, C * 6, 1, 1), log(C - 1.0) / log(2.0), 1e-11);
}

static void diagnostics_diffusion_information(void) {
  enum { N = 60, C = 3 };
  double D[N * N], y[N], bits = -7, again, mean = 0, *x;
  size_t i, seed;
  invman_rng rng;
  invman_rng_seed(&rng, 45, 1);
  for (i = 0; i < N; i++) y[i] = (double)(i % C);
  for (i = 0; i < N * N; i++) D[i] = i % (N + 1) == 0 ? 0 : 1; /* any subset has the entropy of its size */
  CHECK(invman_diffusion_information(NULL, D, y, N, 1, 1, 0, &rng, &bits) == INVMAN_OK);
  CLOSE(bits, 0, 1e-12);
  /* Tight classes far apart: log2(C-1) of any 20 points that are of all three, 0 of a class. 20 of 60 points are of
     fewer than three classes once in 8e5 draws. */
  for (i = 0; i < N * N; i++) D[i] = i / N % C == i % N % C ? 0 : 100;
  CHECK(invman_diffusion_information(NULL, D, y, N, 1, 1, 7, &rng, &bits) == INVMAN_OK);
  CLOSE(bits, log(C - 1.0) / log(2.0), 1e-10);
  /* Labels that know nothing: 10 data sets, a mean of 0 within four times the scatter of a few hundredths of a bit;
     labels of the sign of a coordinate that the points keep apart by: clearly above. */
  for (seed = 0; seed < 10; seed++) {
    x = normals(N * 2, 740 + seed);
    CHECK(invman_point_distances(NULL, x, N, 2, D) == INVMAN_OK);
    for (i = 0; i < N; i++) y[i] = i % 2 ? -1 : 1;
    CHECK(invman_diffusion_information(NULL, D, y, N, 0.5, 1, 5, &rng, &bits) == INVMAN_OK);
    mean += bits / 10;
    for (i = 0; i < N; i++) y[i] = x[2 * i] > 0 ? 1 : -1, x[2 * i] += 3 * y[i];
    CHECK(invman_point_distances(NULL, x, N, 2, D) == INVMAN_OK);
    CHECK(invman_diffusion_information(NULL, D, y, N, 0.5, 1, 5, &rng, &again) == INVMAN_OK);
    CHECK(again > 0.15);
    free(x);
  }
  CLOSE(mean, 0, 0.1);
  { /* one seed, one value */
    invman_rng a, b;
    invman_rng_seed(&a, 1, 1), invman_rng_seed(&b, 1, 1);
    CHECK(invman_diffusion_information(NULL, D, y, N, 0.5, 1, 5, &a, &bits) == INVMAN_OK);
    CHECK(invman_diffusion_information(NULL, D, y, N, 0.5, 1, 5, &b, &again) == INVMAN_OK && bits == again);
  }
}

/* ---- curvature */

/* (1/p) sum g y f, whose second derivatives are minus those of the hinge objective; weights w, b, beta in a row. */
static double diag_pull(const double *weights, size_t h, const invman_data *data, const double *g) {
  size_t d = data->d, i;
  invman_net net;
  double sum = 0, *copy = (double *)malloc(h * (d + 2) * sizeof(double));
  memcpy(copy, weights, h * (d + 2) * sizeof(double));
  net.h = h, net.d = d, net.w = copy, net.b = copy + h * d, net.beta = copy + h * (d + 1);
  for (i = 0; i < data->n; i++) sum += (g ? g[i] : 1) * data->y[i] * diag_f(&net, data->x + i * d);
  free(copy);
  return sum / (double)data->n;
}

static void diagnostics_hessian_spectrum(void) {
  /* Central second differences with step 1e-3: exact between kinks, of which there are none within 0.02; rounding
     leaves some 1e-16/1e-6. */
  enum { H = 3, D = 3, N = 11, W = H * (D + 2) };
  const double e = 1e-3;
  size_t trial, done = 0, i, j, k;
  for (trial = 0; trial < 400 && done < 6; trial++) {
    invman_net net = diag_net(H, D, 800 + trial);
    invman_data data = diag_data(INVMAN_STRIPE, D, N, 800 + trial);
    double weights[W], hessian[W * W], lambda[W], wanted[W], rate[H], v[H * (D + 1)], g[N], least = HUGE_VAL, sums[4];
    const double *pushes = done % 3 ? g : NULL;
    for (i = 0; i < N; i++) g[i] = done % 3 == 1 ? (double)(i % 2) : (double)(i % 3) / 2;
    for (i = 0; i < N; i++)
      for (k = 0; k < H; k++) least = fmin(least, fabs(diag_z(&net, k, data.x + i * D)));
    if (least > 0.02) {
      memcpy(weights, net.w, H * D * sizeof(double));
      memcpy(weights + H * D, net.b, H * sizeof(double)), memcpy(weights + H * (D + 1), net.beta, H * sizeof(double));
      for (i = 0; i < W; i++)
        for (j = 0; j < W; j++) {
          for (k = 0; k < 4; k++) {
            double a = k & 1 ? e : -e, b = k & 2 ? e : -e;
            weights[i] += a, weights[j] += b;
            sums[k] = diag_pull(weights, H, &data, pushes);
            weights[i] -= a, weights[j] -= b;
          }
          hessian[i * W + j] = -(sums[3] - sums[1] - sums[2] + sums[0]) / (4 * e * e);
        }
      diag_eigen(hessian, W, lambda, NULL);
      CHECK(invman_hessian_spectrum(NULL, &net, &data, pushes, rate, v) == INVMAN_OK);
      memset(wanted, 0, sizeof wanted);
      for (k = 0; k < H; k++) {
        wanted[k] = rate[k], wanted[W - 1 - k] = -rate[k];
        CLOSE(rate[k], diag_norm(v + k * (D + 1), D + 1), 1e-15);
        for (j = 0; j <= D; j++) {
          double sum = 0;
          for (i = 0; i < N; i++)
            if (diag_z(&net, k, data.x + i * D) > 0)
              sum += (pushes ? g[i] : 1) * data.y[i] * (j < D ? data.x[i * D + j] / sqrt((double)D) : 1);
          CLOSE(v[k * (D + 1) + j], sqrt(2.0) * sum / (H * N), 1e-15);
        }
      }
      qsort(wanted, W, sizeof(double), by_value), qsort(lambda, W, sizeof(double), by_value);
      CLOSE(largest_difference(lambda, wanted, W), 0, 1e-8);
      CHECK(invman_hessian_spectrum(NULL, &net, &data, pushes, NULL, v) == INVMAN_OK);
      CHECK(invman_hessian_spectrum(NULL, &net, &data, pushes, rate, NULL) == INVMAN_OK);
      done++;
    }
    invman_net_free(NULL, &net), invman_data_free(NULL, &data);
  }
  CHECK(done == 6);
}

static void diagnostics_gauss_newton(void) { /* J'J/p has the eigenvalues of K/p, and zeros */
  enum { H = 4, D = 2, N = 6, W = H * (D + 2) };
  invman_net net = diag_net(H, D, 16), grad;
  double *x = normals(N * D, 17), J[N * W], G[W * W], K[N * N], a[W], b[N];
  size_t i, j, k;
  memset(&grad, 0, sizeof grad);
  for (i = 0; i < N; i++) {
    double one = 1;
    CHECK(invman_net_gradient(NULL, &net, x + i * D, 1, &one, &grad) == INVMAN_OK);
    memcpy(J + i * W, grad.w, H * D * sizeof(double)), memcpy(J + i * W + H * D, grad.b, H * sizeof(double));
    memcpy(J + i * W + H * (D + 1), grad.beta, H * sizeof(double));
  }
  for (i = 0; i < W; i++)
    for (j = 0; j < W; j++)
      for (G[i * W + j] = 0, k = 0; k < N; k++) G[i * W + j] += J[k * W + i] * J[k * W + j] / N;
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
  diag_eigen(G, W, a, NULL), diag_eigen(K, N, b, NULL);
  for (i = 0; i < W; i++) CLOSE(a[i], i < N ? b[i] / N : 0, 1e-14);
  invman_net_free(NULL, &net), invman_net_free(NULL, &grad), free(x);
}

static void diagnostics_growth_is_the_flow(void) {
  /* By (4), (omega', b') = beta v and beta' = v.(omega, b). A neuron along its own v with beta = |(omega, b)| grows by
     exp(rate t): explicit steps of dt = 1e-3/rate follow it with an error of rate t rate dt/2. */
  enum { H = 8, D = 3, N = 40, STEPS = 500 };
  invman_net net = diag_net(H, D, 18), G;
  invman_data data = diag_data(INVMAN_STRIPE, D, N, 19);
  double r[N], rate[H], v[H * (D + 1)], size, grown, dt;
  size_t i, j, k, step, alive = 0;
  memset(&G, 0, sizeof G);
  for (i = 0; i < N; i++) r[i] = data.y[i] / N;
  CHECK(invman_hessian_spectrum(NULL, &net, &data, NULL, rate, v) == INVMAN_OK);
  CHECK(invman_net_gradient(NULL, &net, data.x, N, r, &G) == INVMAN_OK);
  for (k = 0; k < H; k++) {
    const double *u = v + k * (D + 1);
    for (j = 0; j < D; j++) CLOSE(G.w[k * D + j], net.beta[k] * u[j], 1e-15);
    CLOSE(G.b[k], net.beta[k] * u[D], 1e-15);
    CLOSE(G.beta[k], diag_dot(u, net.w + k * D, D) + u[D] * net.b[k], 1e-15);
  }
  for (step = 0; step < 60; step++) { /* to where (omega, b) and v are parallel; the points of the gate settle */
    for (k = 0; k < H; k++) {
      for (j = 0; j < D; j++) net.w[k * D + j] = rate[k] > 0 ? v[k * (D + 1) + j] / rate[k] : 0;
      net.b[k] = rate[k] > 0 ? v[k * (D + 1) + D] / rate[k] : -1, net.beta[k] = 1; /* dead: no point is on its side */
    }
    CHECK(invman_hessian_spectrum(NULL, &net, &data, NULL, rate, v) == INVMAN_OK);
  }
  for (k = 0; k < H; k++) {
    double parallel = (diag_dot(v + k * (D + 1), net.w + k * D, D) + v[k * (D + 1) + D] * net.b[k]) / rate[k];
    if (rate[k] > 0) CLOSE(parallel, 1, 1e-12);
  }
  for (size = 0, k = 0; k < H; k++) size = fmax(size, rate[k]), alive += rate[k] > 0;
  CHECK(alive >= 3);
  dt = 1e-3 / size;
  for (step = 0; step < STEPS; step++) {
    CHECK(invman_net_gradient(NULL, &net, data.x, N, r, &G) == INVMAN_OK);
    for (i = 0; i < H * D; i++) net.w[i] += dt * G.w[i];
    for (k = 0; k < H; k++) net.b[k] += dt * G.b[k], net.beta[k] += dt * G.beta[k];
  }
  for (k = 0; k < H; k++) {
    grown = log(net.beta[k]);
    CLOSE(grown, STEPS * log1p(dt * rate[k]), 1e-11);
    CLOSE(grown, STEPS * dt * rate[k], 0.6 * STEPS * dt * rate[k] * dt * rate[k]);
  }
  invman_net_free(NULL, &net), invman_net_free(NULL, &G), invman_data_free(NULL, &data);
}

static void diagnostics_growth_at_the_attractors(void) {
  /* Where neurons go: rate = 1/tau* = |C_1| sqrt(1 + z^2/d)/tau, tau = h sqrt(d/2), of many points. The fluctuation of
     rate tau along v has a variance of at most (u_x^2 + d u_b^2)/n for v/|v| = (u_x, .., u_b); four sigma, and what the
     components across add. */
  enum { N = 200000, H = 3 };
  static const size_t dims[3] = {2, 5, 10};
  static const double z[3][3] = {
      {-1.22621, 0.64664, 0.45004}, {-1.48049, 0.68483, 0.57049}, {-1.68702, 0.70101, 0.63281}};
  static const double time[2][3] = {{4.20879, 12.72402, 2.36892}, {3.55890, 12.01213, 2.28665}};
  size_t i, k, found;
  for (i = 0; i < 3; i++) {
    double d = (double)dims[i], rate[H];
    invman_data data = diag_data(INVMAN_STRIPE, dims[i], N, 20 + i);
    invman_net net = diag_net(H, dims[i], 1);
    invman_fixed_point f[8];
    CHECK(invman_stripe_fixed_points(NULL, 0, dims[i], f, 8, &found) == INVMAN_OK && found == 3);
    memset(net.w, 0, H * dims[i] * sizeof(double));
    for (k = 0; k < H; k++) {
      double c1, cb, speed = fabs(f[k].c1) * sqrt(1 + f[k].z * f[k].z / d);
      CLOSE(f[k].z, z[i][k], 1e-5);
      CHECK(f[k].sign == (k < 2 ? 1 : -1));
      CLOSE(f[k].time * speed, 1, 1e-12);
      if (i < 2) CLOSE(f[k].time, time[i][k], 2e-5 * time[i][k]);
      invman_stripe_integrals(NULL, 0, f[k].z, f[k].sign, &c1, &cb);
      CLOSE(d * cb + f[k].z * c1, 0, 1e-9);
      CLOSE(sqrt(c1 * c1 + d * cb * cb), speed, 1e-9); /* |v| tau: the identity behind it */
      net.w[k * dims[i]] = 0.7 * f[k].sign;
      net.b[k] = -f[k].z * net.w[k * dims[i]] / sqrt(d);
    }
    CHECK(invman_hessian_spectrum(NULL, &net, &data, NULL, rate, NULL) == INVMAN_OK);
    for (k = 0; k < H; k++) {
      double speed = 1 / f[k].time, part = f[k].z * f[k].z / d / (1 + f[k].z * f[k].z / d);
      CLOSE(rate[k] * H * sqrt(d / 2), speed, 4 * sqrt((1 - part + d * part) / N) + 2 * d / (2 * N * speed));
    }
    invman_data_free(NULL, &data), invman_net_free(NULL, &net);
  }
}

/* ---- linear regions */

static void diagnostics_linear_regions(void) {
  enum { H = 60, D = 4 };
  size_t trial, i, j, k, count, back, n;
  for (trial = 0; trial < 20; trial++) {
    invman_net net = diag_net(H, D, 900 + trial);
    double *ends = normals(2 * D, 930 + trial), t[H], s[H], all[H], x[D], f[3], zero[2], *a = ends, *b = ends + D;
    for (j = 0; j < 2 * D; j++) ends[j] *= 2;
    for (k = 0; k < H; k += 7) net.beta[k] = 0;                       /* these are not seen */
    for (j = 0; j < D; j++) net.w[4 * D + j] = -2 * net.w[3 * D + j]; /* a crossing of two: counted once */
    net.b[4] = -2 * net.b[3], net.beta[3] = net.beta[4] = 1;
    for (n = 0, k = 0; k < H; k++) {
      double z0 = diag_z(&net, k, a), z1 = diag_z(&net, k, b);
      if (k != 4 && net.beta[k] < 0) z0 = -z0, z1 = -z1;
      if (k != 4 && (z0 > 0) != (z1 > 0) && fabs(net.beta[k]) > 0) all[n++] = -z0 / (z1 - z0);
    }
    qsort(all, n, sizeof(double), by_value);
    CHECK(invman_linear_regions(NULL, &net, a, b, t, &count) == INVMAN_OK);
    /* Two roundings of one crossing may differ in the last bit. */
    CHECK(count == n || count == n + 1);
    for (i = 0; i < n && count == n; i++) CLOSE(t[i], all[i], 1e-13);
    for (i = 0; i < count; i++) CHECK(t[i] > (i ? t[i - 1] : 0) && t[i] < 1);
    for (i = 0; i <= count; i++) { /* f is affine between: its middle is the mean of the ends */
      double low = i == 0 ? 0 : t[i - 1], high = i == count ? 1 : t[i];
      for (k = 0; k < 3; k++) {
        double at = low + (high - low) * (double)k / 2;
        for (j = 0; j < D; j++) x[j] = a[j] + at * (b[j] - a[j]);
        f[k] = diag_f(&net, x);
      }
      CLOSE(f[1], 0.5 * (f[0] + f[2]), 1e-14);
    }
    CHECK(invman_linear_regions(NULL, &net, b, a, s, &back) == INVMAN_OK &&
          (back == count || count + back == 2 * n + 1));
    for (i = 0; i < count && back == count; i++) CLOSE(s[i], 1 - t[count - 1 - i], 1e-13);
    CHECK(invman_linear_regions(NULL, &net, a, a, t, &count) == INVMAN_OK && count == 0);
    CHECK(invman_linear_regions(NULL, &net, a, b, NULL, &back) == INVMAN_OK);
    for (k = 0; k < H; k++) net.beta[k] = 0;
    CHECK(invman_linear_regions(NULL, &net, a, b, t, &count) == INVMAN_OK && count == 0);
    net.h = 2, net.d = 1, net.w[0] = net.w[1] = 2, net.b[0] = 0, net.b[1] = -1; /* kinks at 0 and at 1/2 of [0,1] */
    net.beta[0] = net.beta[1] = 1, zero[0] = 0, zero[1] = 1;
    CHECK(invman_linear_regions(NULL, &net, zero, zero + 1, t, &count) == INVMAN_OK && count == 1 && t[0] == 0.5);
    net.h = H, net.d = D;
    invman_net_free(NULL, &net), free(ends);
  }
}

static void diagnostics_crossings_at_the_start(void) { /* h theta/pi, binomial: four deviations */
  enum { H = 200000, D = 3 };
  invman_net net = diag_net(H, D, 22);
  size_t trial, count, i;
  for (trial = 0; trial < 4; trial++) {
    double *ends = normals(2 * D, 23 + trial), *a = ends, *b = ends + D, d = D, q;
    if (trial == 3)
      for (i = 0; i < D; i++) b[i] = -5 * a[i];
    q = acos((diag_dot(a, b, D) / d + 1) / sqrt((diag_dot(a, a, D) / d + 1) * (diag_dot(b, b, D) / d + 1))) / diag_pi;
    CHECK(invman_linear_regions(NULL, &net, a, b, NULL, &count) == INVMAN_OK);
    CLOSE((double)count / H, q, 4 * sqrt(q * (1 - q) / H));
    free(ends);
  }
  invman_net_free(NULL, &net);
}

static void diagnostics_activation_patterns(void) {
  enum { H = 70, N = 300, D = 2, LINE = 2001 };
  size_t i, j, k, patterns, plain, trial;
  for (trial = 0; trial < 6; trial++) {
    size_t h = trial < 3 ? 1 + 3 * trial : (size_t)H;
    invman_net net = diag_net(h, D, 24 + trial);
    double *x = normals(N * D, 25 + trial);
    for (i = 0; i < N * D && trial % 2; i++) x[i] *= 0.1; /* more of the same */
    for (plain = 0, i = 0; i < N; i++) {
      for (j = 0; j < i; j++) {
        for (k = 0; k < h && (diag_z(&net, k, x + i * D) > 0) == (diag_z(&net, k, x + j * D) > 0); k++) {}
        if (k == h) break;
      }
      plain += j == i;
    }
    CHECK(invman_activation_patterns(NULL, &net, x, N, &patterns) == INVMAN_OK);
    CHECK(patterns == plain && (double)patterns <= invman_region_bound(h, D));
    memcpy(x + D, x, D * sizeof(double));
    CHECK(invman_activation_patterns(NULL, &net, x, 2, &patterns) == INVMAN_OK && patterns == 1);
    invman_net_free(NULL, &net), free(x);
  }
  { /* one input: each kink within the line parts it; they differ in one neuron, here one behind 64 others */
    invman_net net = diag_net(H, 1, 30);
    double line[LINE];
    size_t inside = 0;
    for (i = 0; i < LINE; i++) line[i] = -20 + 40 * (double)i / (LINE - 1);
    for (k = 0; k < H; k++) net.w[k] = 1, net.b[k] = 1000;
    for (k = 50; k < H; k++) net.b[k] = 0.313 + 0.9 * ((double)k - 60), inside++;
    CHECK(invman_activation_patterns(NULL, &net, line, LINE, &patterns) == INVMAN_OK && patterns == inside + 1);
    invman_net_free(NULL, &net);
  }
  for (k = 1; k < 40; k++) {
    double h = (double)k;
    CHECK(invman_region_bound(k, 1) == h + 1 && invman_region_bound(k, 2) == 1 + h + h * (h - 1) / 2);
    CHECK(invman_region_bound(k, k) == ldexp(1, (int)k) && invman_region_bound(k, k + 5) == ldexp(1, (int)k));
    CLOSE(invman_region_bound(k, 3), 1 + h + h * (h - 1) / 2 + h * (h - 1) * (h - 2) / 6, 0);
  }
  CHECK(invman_region_bound(7, 0) == 1 && invman_region_bound(5000, 4000) == HUGE_VAL);
  CLOSE(invman_region_bound(1000, 1000), ldexp(1, 1000), ldexp(1, 1000) * 1e-12);
}

/* ---- orthogonal start */

static void diagnostics_orthogonal_start(void) {
  static const size_t shapes[5][2] = {{40, 5}, {7, 7}, {300, 20}, {3, 1}, {1, 1}};
  enum { SEEDS = 600, H = 3 };
  double mean[H * H], square[H * H], fourth = 0, bias = 0, heads = 0;
  size_t k, i, j, n;
  invman_rng rng;
  for (k = 0; k < 5; k++) {
    size_t h = shapes[k][0], d = shapes[k][1];
    invman_net net, again;
    double sum = 0;
    memset(&net, 0, sizeof net), memset(&again, 0, sizeof again);
    invman_rng_seed(&rng, 50 + k, 1);
    CHECK(invman_net_init_orthogonal(NULL, h, d, &rng, &net) == INVMAN_OK && net.h == h && net.d == d);
    for (i = 0; i < d; i++)
      for (j = 0; j < d; j++) {
        double dot = 0;
        for (n = 0; n < h; n++) dot += net.w[n * d + i] * net.w[n * d + j];
        CLOSE(dot, i == j ? (double)h : 0, 1e-12 * (double)h);
      }
    for (n = 0; n < h; n++) sum += diag_dot(net.w + n * d, net.w + n * d, d);
    CLOSE(sum, (double)(h * d), 1e-12 * (double)(h * d));
    for (i = 1; i < d; i++) CLOSE(invman_amplification(&net, i), 1, 1e-12);
    invman_rng_seed(&rng, 50 + k, 1);
    CHECK(invman_net_init_orthogonal(NULL, h, d, &rng, &again) == INVMAN_OK && same_net(&net, &again));
    invman_net_free(NULL, &net), invman_net_free(NULL, &again);
  }
  /* The law of any rotation of it: w/sqrt(h) is uniform among the orthogonal matrices. An entry has mean 0, square 1
     and fourth power 3 h/(h + 2); b and beta are N(0,1). Four sigma, of 18 moments 4.5. */
  memset(mean, 0, sizeof mean), memset(square, 0, sizeof square);
  invman_rng_seed(&rng, 60, 1);
  for (n = 0; n < SEEDS; n++) {
    invman_net net;
    memset(&net, 0, sizeof net);
    CHECK(invman_net_init_orthogonal(NULL, H, H, &rng, &net) == INVMAN_OK);
    for (i = 0; i < H * H; i++) {
      double w2 = net.w[i] * net.w[i];
      mean[i] += net.w[i] / SEEDS, square[i] += w2 / SEEDS, fourth += w2 * w2 / (SEEDS * H * H);
    }
    for (i = 0; i < H; i++) bias += net.b[i] * net.b[i] / (SEEDS * H), heads += net.beta[i] * net.beta[i] / (SEEDS * H);
    invman_net_free(NULL, &net);
  }
  for (i = 0; i < H * H; i++) {
    CLOSE(mean[i], 0, 4.5 / sqrt((double)SEEDS));
    CLOSE(square[i], 1, 4.5 * sqrt((1.8 - 1) / SEEDS));
  }
  CLOSE(fourth, 3.0 * H / (H + 2),
        4 * 2.2 / sqrt((double)SEEDS)); /* the fourth power is below 9, its deviation below 2.2 */
  CLOSE(bias, 1, 4 * sqrt(2.0 / (SEEDS * H)));
  CLOSE(heads, 1, 4 * sqrt(2.0 / (SEEDS * H)));
}

/* ---- doubly stochastic mixing */

static double diag_residual(const double *M, size_t n) {
  double most = 0;
  size_t i, j;
  for (i = 0; i < n; i++) {
    double row = -1, column = -1;
    for (j = 0; j < n; j++) row += M[i * n + j], column += M[j * n + i];
    most = fmax(most, fmax(fabs(row), fabs(column)));
  }
  return most;
}

static double diag_sigma_2(const double *M, size_t n) {
  double *sigma = (double *)malloc(n * sizeof(double)), value;
  CHECK(invman_centred_singular_values(NULL, M, n, sigma) == INVMAN_OK);
  value = sigma[0];
  free(sigma);
  return value;
}

static void diagnostics_sinkhorn_closed_forms(void) {
  enum { N = 7 };
  double G[N * N], M[N * N], sigma[N], row[N], sum = 0, most = 0;
  invman_sinkhorn_info info;
  size_t i, j, k;
  invman_rng rng;
  for (i = 0; i < N * N; i++) G[i] = i % (N + 1) == 0 ? 2.1 : 0; /* g times the unit matrix */
  CHECK(invman_sinkhorn(NULL, G, N, 1.5, 0, 0, M, &info) == INVMAN_OK && info.sweeps <= 3 && info.residual < 1e-12);
  CHECK(invman_centred_singular_values(NULL, M, N, sigma) == INVMAN_OK);
  for (i = 0; i + 1 < N; i++) {
    CLOSE(sigma[i], 0.303842785516, 1e-12);
    CLOSE(sigma[i], (exp(1.4) - 1) / (exp(1.4) + N - 1), 1e-15 * 4);
  }
  CLOSE(sigma[N - 1], 0, 1e-15 * 4);
  invman_rng_seed(&rng, 61, 1);
  for (k = 0; k < 30; k++) { /* 2 x 2 */
    double a = invman_rng_normal(&rng), b = invman_rng_normal(&rng), c = invman_rng_normal(&rng);
    double d = invman_rng_normal(&rng), tau = 0.2 + 0.1 * (double)k, p, q;
    G[0] = a, G[1] = b, G[2] = c, G[3] = d;
    CHECK(invman_sinkhorn(NULL, G, 2, tau, 1e-14, 0, M, NULL) >= 0);
    p = exp((a + d) / (2 * tau)), q = exp((b + c) / (2 * tau));
    CLOSE(diag_sigma_2(M, 2), fabs(p - q) / (p + q), 1e-13);
    G[0] = G[3] = a, G[1] = G[2] = 0;
    CHECK(invman_sinkhorn(NULL, G, 2, tau, 0, 0, M, NULL) == INVMAN_OK);
    CLOSE(diag_sigma_2(M, 2), fabs(tanh(a / (2 * tau))), 1e-14);
  }
  for (j = 0; j < N; j++) row[j] = exp(invman_rng_normal(&rng)), sum += row[j]; /* circulant */
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) G[i * N + j] = 0.7 * log(row[(j + N - i) % N]);
  CHECK(invman_sinkhorn(NULL, G, N, 0.7, 0, 0, M, &info) == INVMAN_OK && info.sweeps <= 3);
  for (j = 0; j < N * N; j++) CLOSE(M[j], row[(j % N + N - j / N) % N] / sum, 1e-15 * 4);
  for (k = 1; k < N; k++) {
    double re = 0, im = 0;
    for (j = 0; j < N; j++) {
      re += row[j] / sum * cos(2 * diag_pi * (double)(j * k) / N);
      im += row[j] / sum * sin(2 * diag_pi * (double)(j * k) / N);
    }
    most = fmax(most, sqrt(re * re + im * im));
  }
  CLOSE(diag_sigma_2(M, N), most, 1e-14);
  for (j = 0; j < N * N; j++) G[j] = 3; /* constant logits: 11'/n */
  CHECK(invman_sinkhorn(NULL, G, N, 2, 0, 0, M, NULL) == INVMAN_OK);
  for (j = 0; j < N * N; j++) CLOSE(M[j], 1.0 / N, 1e-16);
  G[0] = -700; /* one logit */
  CHECK(invman_sinkhorn(NULL, G, 1, 2, 0, 0, M, NULL) == INVMAN_OK && M[0] == 1);
}

static void diagnostics_sinkhorn_is_the_maximum(void) {
  /* Of <M,G> + tau H(M): moving mass e around a rectangle of four entries lowers it to both sides, by e^2 tau/2 sum 1/M
     to second order. And the marks of the form exp((G + u + v)/tau): its logarithm less G/tau is u_i + v_j. */
  enum { N = 6 };
  invman_rng rng;
  size_t trial, k, i, j;
  invman_rng_seed(&rng, 62, 1);
  for (trial = 0; trial < 20; trial++) {
    double *G = normals(N * N, 1000 + trial), M[N * N], tau = exp(0.7 * invman_rng_normal(&rng));
    invman_sinkhorn_info info;
    CHECK(invman_sinkhorn(NULL, G, N, tau, 0, 0, M, &info) == INVMAN_OK && info.residual < 1e-12);
    CLOSE(diag_residual(M, N), info.residual, 1e-14);
    for (k = 0; k < 30; k++) {
      size_t c[4], r0 = invman_i_below(&rng, N), r1 = (r0 + 1 + invman_i_below(&rng, N - 1)) % N;
      size_t c0 = invman_i_below(&rng, N), c1 = (c0 + 1 + invman_i_below(&rng, N - 1)) % N;
      double least, change[2] = {0, 0}, curve = 0, e;
      c[0] = r0 * N + c0, c[1] = r1 * N + c1, c[2] = r0 * N + c1, c[3] = r1 * N + c0;
      least = fmin(fmin(M[c[0]], M[c[1]]), fmin(M[c[2]], M[c[3]]));
      e = 0.01 * least;
      for (i = 0; i < 4; i++) curve += tau / (2 * M[c[i]]);
      for (j = 0; j < 2; j++)
        for (i = 0; i < 4; i++) {
          double m = M[c[i]] + (i < 2 ? e : -e) * (j ? -1 : 1);
          change[j] += (m - M[c[i]]) * G[c[i]] - tau * (m * log(m) - M[c[i]] * log(M[c[i]]));
        }
      CLOSE(change[0], -curve * e * e, 0.02 * curve * e * e + 1e-15 * (1 + tau));
      CLOSE(change[1], -curve * e * e, 0.02 * curve * e * e + 1e-15 * (1 + tau));
      CLOSE(tau * log(M[c[0]] * M[c[1]] / (M[c[2]] * M[c[3]])), G[c[0]] + G[c[1]] - G[c[2]] - G[c[3]],
            1e-12 * (1 + tau));
    }
    free(G);
  }
}

static void diagnostics_sinkhorn_symmetries(void) { /* common shifts, orders, transposition, scale of G and tau */
  enum { N = 6 };
  size_t trial, i, j, r[N], c[N];
  invman_rng rng;
  invman_rng_seed(&rng, 63, 1);
  for (trial = 0; trial < 10; trial++) {
    double *G = normals(N * N, 1030 + trial), M[N * N], A[N * N], B[N * N];
    CHECK(invman_sinkhorn(NULL, G, N, 0.8, 0, 0, M, NULL) == INVMAN_OK);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) A[i * N + j] = G[i * N + j] + 10 * sin((double)i) + 900 * cos((double)(3 * j));
    CHECK(invman_sinkhorn(NULL, A, N, 0.8, 0, 0, B, NULL) == INVMAN_OK);
    CLOSE(largest_difference(M, B, N * N), 0, 2e-11); /* logits of 900/0.8 are rounded to 1e-13, and tol is 1e-12 */
    diag_permutation(r, N, &rng), diag_permutation(c, N, &rng);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) A[i * N + j] = 1e5 * G[r[i] * N + c[j]];
    CHECK(invman_sinkhorn(NULL, A, N, 0.8e5, 0, 0, B, NULL) == INVMAN_OK);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) CLOSE(B[i * N + j], M[r[i] * N + c[j]], 1e-11);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) A[i * N + j] = G[j * N + i];
    CHECK(invman_sinkhorn(NULL, A, N, 0.8, 0, 0, B, NULL) == INVMAN_OK);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) CLOSE(B[i * N + j], M[j * N + i], 1e-11);
    free(G);
  }
}

static void diagnostics_sinkhorn_zeros_and_limits(void) {
  enum { N = 10 };
  double *G = normals(N * N, 64), M[N * N], A[9], B[9];
  invman_sinkhorn_info info;
  size_t i, j;
  memset(&info, 0, sizeof info);
  /* Cold logits: the sweeps' limit is reached, and what is left is said. */
  CHECK(invman_sinkhorn(NULL, G, N, 0.01, 0, 30, M, &info) == INVMAN_NOT_CONVERGED && info.sweeps == 30);
  CHECK(info.residual > 1e-12);
  CLOSE(diag_residual(M, N), info.residual, 1e-14);
  for (i = 0; i < N * N; i++) CHECK(M[i] >= 0 && M[i] <= 1 + 1e-12);
  CHECK(invman_sinkhorn(NULL, G, N, 1.3, 0, 0, M, &info) == INVMAN_OK && info.sweeps < 60);
  i = info.sweeps;
  CHECK(invman_sinkhorn(NULL, G, N, 1.3, 1e-3, 0, M, &info) == INVMAN_OK && info.sweeps < i && info.residual < 1e-3);
  CHECK(info.residual > 1e-12);
  for (i = 0; i < N * N; i++)
    G[i] = i / N / 5 == i % N / 5 ? G[i] : -HUGE_VAL; /* two blocks of five: each on its own */
  CHECK(invman_sinkhorn(NULL, G, N, 1, 0, 0, M, &info) == INVMAN_OK && diag_residual(M, N) < 2e-12);
  for (i = 0; i < N * N; i++) CHECK((M[i] == 0) == (i / N / 5 != i % N / 5));
  CLOSE(diag_sigma_2(M, N), 1, 1e-12);                                           /* two blocks keep their difference */
  for (i = 0; i < N * N; i++) G[i] = i % N == (i / N + 3) % N ? 2.5 : -HUGE_VAL; /* a permutation */
  CHECK(invman_sinkhorn(NULL, G, N, 0.3, 0, 0, M, &info) == INVMAN_OK);
  for (i = 0; i < N * N; i++) CHECK(M[i] == (i % N == (i / N + 3) % N ? 1 : 0));
  /* Two rows whose one finite entry is in the same column: there is no such matrix, and no NaN. */
  for (i = 0; i < 9; i++) A[i] = (i / 3 < 2 && i % 3 > 0) ? -HUGE_VAL : 0;
  CHECK(invman_sinkhorn(NULL, A, 3, 1, 0, 200, B, &info) == INVMAN_NOT_CONVERGED && info.sweeps == 200);
  CHECK(info.residual > 0.1);
  for (i = 0; i < 9; i++) CHECK(B[i] >= 0 && B[i] <= 1 + 1e-12);
  for (j = 0; j < 4; j++) { /* tau across the range of logits: never a NaN */
    static const double taus[4] = {1e-300, 1e-3, 1e10, 1e300};
    invman_status status;
    for (i = 0; i < 9; i++) A[i] = (double)(i * i % 7) * 1e3;
    status = invman_sinkhorn(NULL, A, 3, taus[j], 0, 100, B, &info);
    CHECK(status == INVMAN_OK || status == INVMAN_NOT_CONVERGED || (status == INVMAN_E_NONFINITE && taus[j] < 1e-200));
    for (i = 0; i < 9 && status >= 0; i++) CHECK(B[i] >= 0 && B[i] <= 1 + 1e-12);
  }
  free(G);
}

static void diagnostics_centred_singular_values(void) {
  enum { N = 8 };
  size_t trial, i, j, k, r[N], c[N];
  invman_rng rng;
  invman_rng_seed(&rng, 65, 1);
  for (trial = 0; trial < 10; trial++) { /* any matrix, doubly stochastic or not: the roots of (PMP)'PMP */
    double *M = normals(N * N, 1060 + trial), *A = diag_centred(M, N, 0), AtA[N * N], lambda[N], sigma[N], other[N],
           B[N * N];
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++)
        for (AtA[i * N + j] = 0, k = 0; k < N; k++) AtA[i * N + j] += A[k * N + i] * A[k * N + j];
    diag_eigen(AtA, N, lambda, NULL);
    CHECK(invman_centred_singular_values(NULL, M, N, sigma) == INVMAN_OK);
    for (i = 0; i + 1 < N; i++) {
      CLOSE(sigma[i] * sigma[i], lambda[i], 1e-13 * lambda[0]);
      CHECK(sigma[i] >= sigma[i + 1]);
    }
    CLOSE(sigma[N - 1], 0, 1e-14 * sigma[0]);
    CHECK(sigma[N - 1] >= 0);
    diag_permutation(r, N, &rng), diag_permutation(c, N, &rng);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) B[i * N + j] = M[r[i] * N + c[j]] + 3 * sin((double)i) + cos((double)j);
    CHECK(invman_centred_singular_values(NULL, B, N, other) ==
          INVMAN_OK); /* orders, and what only rows or columns have */
    CLOSE(largest_difference(sigma, other, N), 0, 3e-14);
    free(M), free(A);
  }
  for (trial = 0; trial < 3; trial++) { /* 11'/n + s uv': s is found, however small, where its square would be lost */
    static const double sizes[3] = {1e-12, 1e-9, 0.01};
    double M[N * N], sigma[N], u[N], v[N];
    for (i = 0; i < N; i++) u[i] = (i % 2 ? -1 : 1) / sqrt((double)N), v[i] = (i / 2 % 2 ? -1 : 1) / sqrt((double)N);
    for (i = 0; i < N * N; i++) M[i] = 1.0 / N + sizes[trial] * u[i / N] * v[i % N];
    CHECK(invman_centred_singular_values(NULL, M, N, sigma) == INVMAN_OK);
    CLOSE(sigma[0], sizes[trial], 2e-15);
    CLOSE(sigma[1], 0, 2e-15);
  }
  {
    double M[N * N], sigma[N];
    for (i = 0; i < N * N; i++) M[i] = 1.0 / N;
    CHECK(invman_centred_singular_values(NULL, M, N, sigma) == INVMAN_OK);
    CLOSE(sigma[0], 0, 1e-15);
    for (i = 0; i < N * N; i++)
      M[i] = i % N == (3 * (i / N) + 1) % N ? 1 : 0; /* a permutation: 3 and 8 have no factor */
    CHECK(invman_centred_singular_values(NULL, M, N, sigma) == INVMAN_OK);
    for (i = 0; i + 1 < N; i++) CLOSE(sigma[i], 1, 1e-14);
    CLOSE(sigma[N - 1], 0, 1e-14);
  }
}

static void diagnostics_mixing_bounds(void) {
  /* For random logits and every temperature. A matrix whose sums are 1 to e only meets them to some n e. */
  enum { N = 10, LOGITS = 8, TAUS = 14 };
  size_t trial, k, i, tight = 0, j;
  for (trial = 0; trial < LOGITS; trial++) {
    double *G = normals(N * N, 1100 + trial), M[N * N], last = -1, limit, off[2], *P;
    size_t n = trial % 2 ? N : 5;
    for (k = 0; k < TAUS; k++) {
      double tau = 0.05 * pow(1900 / 0.05, (double)k / (TAUS - 1)), e, H = 0, F = 0, sigma[N], least = 1;
      invman_mixing m;
      invman_sinkhorn_info info;
      invman_status status = invman_sinkhorn(NULL, G, n, tau, 0, 2000, M, &info);
      CHECK(status == INVMAN_OK || (status == INVMAN_NOT_CONVERGED && tau < 0.5));
      if (info.residual > 9e-7) continue;
      memset(&m, 0, sizeof m);
      CHECK(invman_mixing_measures(NULL, M, n, &m) == INVMAN_OK);
      e = 1e-13 + 10 * (double)n * info.residual;
      tight += status == INVMAN_OK;
      for (i = 0; i < n * n; i++) {
        if (M[i] > 0) H -= M[i] * log(M[i]);
        F += M[i] * M[i], least = fmin(least, M[i]);
      }
      CHECK(invman_centred_singular_values(NULL, M, n, sigma) == INVMAN_OK);
      CLOSE(m.sigma_2, sigma[0], 1e-15);
      CLOSE(m.entropy, H, 1e-12);
      CLOSE(m.share, H / ((double)n * log((double)n)), 1e-13);
      CHECK(m.least == least);
      CLOSE(m.by_least, 1 - (double)n * least, 1e-14);
      CLOSE(m.by_norm[1] * m.by_norm[1], F - 1, 1e-13 + e);
      CLOSE(m.by_norm[0] * m.by_norm[0], (F - 1) / ((double)n - 1), 1e-13 + e);
      CLOSE(m.by_entropy * m.by_entropy, 2 * ((double)n * log((double)n) - H), 1e-11 + e);
      CLOSE(m.residual, diag_residual(M, n), 1e-15);
      CHECK(m.sigma_2 <= m.by_least + e);
      CHECK(m.by_norm[0] - e / m.sigma_2 <= m.sigma_2 && m.sigma_2 * m.sigma_2 <= m.by_norm[1] * m.by_norm[1] + e);
      CHECK(m.sigma_2 * m.sigma_2 <= m.by_entropy * m.by_entropy + e + 1e-12);
      CHECK(H >= last - e); /* with tau the entropy grows */
      last = H;
    }
    /* tau sigma_2 -> sigma_1(PGP)/n, with a remainder of order 1/tau: halved by twice the tau */
    limit = diag_sigma_2(G, n) / (double)n;
    P = diag_centred(G, n, 0);
    CLOSE(diag_sigma_2(P, n) / (double)n, limit, 1e-14);
    free(P);
    for (j = 0; j < 2; j++) {
      double tau = j ? 1890 : 945;
      CHECK(invman_sinkhorn(NULL, G, n, tau, 0, 0, M, NULL) == INVMAN_OK);
      off[j] = tau * diag_sigma_2(M, n) - limit;
    }
    CHECK(fabs(off[1]) < 1e-3 * limit);
    CLOSE(off[0], 2 * off[1], 0.02 * fabs(off[0]) + 1e-6 * limit);
    free(G);
  }
  CHECK(tight >= LOGITS * TAUS * 2 / 3);
}

static void diagnostics_mixing_closed_forms(void) {
  enum { N = 6 };
  double M[N * N];
  invman_mixing m;
  size_t i;
  for (i = 0; i < N * N; i++) M[i] = 1.0 / N;
  memset(&m, 0, sizeof m);
  CHECK(invman_mixing_measures(NULL, M, N, &m) == INVMAN_OK);
  CLOSE(m.sigma_2, 0, 1e-15);
  CLOSE(m.share, 1, 1e-15);
  CLOSE(m.entropy, N * log((double)N), 1e-13);
  CLOSE(m.by_least, 0, 1e-15);
  CHECK(m.by_norm[0] >= 0 && m.by_norm[1] < 1e-7 && m.by_entropy >= 0 &&
        m.by_entropy < 1e-6); /* roots of rounding: no NaN */
  for (i = 0; i < N * N; i++) M[i] = i % N == (i / N + 2) % N ? 1 : 0;
  CHECK(invman_mixing_measures(NULL, M, N, &m) == INVMAN_OK);
  CLOSE(m.sigma_2, 1, 1e-14);
  CHECK(m.share == 0 && m.entropy == 0 && m.least == 0 && m.by_least == 1 && m.residual == 0);
  CLOSE(m.by_norm[0], 1, 1e-15);
  CLOSE(m.by_norm[1], sqrt(N - 1.0), 1e-15 * 4);
  M[0] += 5e-7; /* nearly is enough */
  CHECK(invman_mixing_measures(NULL, M, N, &m) == INVMAN_OK);
  CLOSE(m.residual, 5e-7, 1e-15);
}

static void diagnostics_mixing_depth(void) {
  enum { N = 9, L = 6 };
  double M[L][N * N], *x = normals(N, 66), v[N], w[N], mean = 0, before, product = 1, sigma[L], *G;
  double A[N * N], B[N * N], plus[N], ratio;
  size_t k, i, j;
  static const double as[4] = {0, 0.01, 0.4, 1};
  for (i = 0; i < N; i++) mean += x[i] / N;
  for (before = 0, i = 0; i < N; i++) v[i] = x[i], before += (x[i] - mean) * (x[i] - mean);
  for (k = 0; k < L; k++) {
    double left = 0;
    G = normals(N * N, 1130 + k);
    CHECK(invman_sinkhorn(NULL, G, N, 0.6, 0, 0, M[k], NULL) == INVMAN_OK);
    free(G);
    sigma[k] = diag_sigma_2(M[k], N), product *= sigma[k];
    diag_product(M[k], v, N, N, 1, w), memcpy(v, w, sizeof v);
    for (i = 0; i < N; i++) left += (v[i] - mean) * (v[i] - mean);
    CHECK(sqrt(left) <= product * sqrt(before) * (1 + 1e-10) + 1e-11);
    CHECK(invman_snr(sqrt(left), 0.3, N) <= invman_snr(sqrt(before), 0.3, N) * product * product * (1 + 1e-9) + 1e-18);
    CHECK(invman_chain_depth(sigma, k + 1, product * (1 + 1e-12)) == k + 1);
    CHECK(invman_chain_depth(sigma, k + 1, product * (1 - 1e-12)) == k + 2); /* none */
  }
  for (k = 0; k < 4; k++) { /* the residual connection */
    double a = as[k], norm[N];
    memcpy(A, M[0], sizeof A);
    CHECK(invman_mix_with_identity(NULL, A, N, a) == INVMAN_OK);
    for (i = 0; i < N * N; i++) CLOSE(A[i], (i % (N + 1) == 0 ? 1 - a : 0) + a * M[0][i], 1e-15);
    CHECK(diag_residual(A, N) < 1e-11 && diag_sigma_2(A, N) <= 1 - a + a * sigma[0] + 1e-13);
    for (i = 0; i < N; i++)
      for (j = 0; j < N; j++) plus[j] = A[i * N + j] - (i == j ? 1 : 0), B[i * N + j] = plus[j];
    CHECK(invman_centred_singular_values(NULL, B, N, norm) == INVMAN_OK &&
          norm[0] <= 2 * a + 1e-14); /* 1 is mapped to 0 */
    if (a == 0)
      for (i = 0; i < N * N; i++) CHECK(A[i] == (i % (N + 1) == 0 ? 1 : 0));
  }
  /* A symmetric M: the detail's ratio goes to sigma_2, and M^L x to the mean. */
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) A[i * N + j] = 0.5 * (M[0][i * N + j] + M[0][j * N + i]);
  memcpy(v, x, sizeof v);
  for (ratio = 0, k = 0; k < 400; k++) {
    double norm[2] = {0, 0};
    diag_product(A, v, N, N, 1, w);
    for (i = 0; i < N; i++) norm[0] += (v[i] - mean) * (v[i] - mean), norm[1] += (w[i] - mean) * (w[i] - mean);
    memcpy(v, w, sizeof v);
    if (norm[1] < 1e-18) break; /* rounding of the mean */
    ratio = sqrt(norm[1] / norm[0]);
  }
  CLOSE(ratio, diag_sigma_2(A, N), 1e-3);
  for (; k < 400; k++) diag_product(A, v, N, N, 1, w), memcpy(v, w, sizeof v);
  for (i = 0; i < N; i++) CLOSE(v[i], mean, 1e-10);

  CLOSE(invman_effective_depth(0.5, 0.125), 3, 1e-15 * 4);
  CLOSE(invman_effective_depth(0.303842785516, 1e-3), log(1e3) / -log(0.303842785516), 1e-13);
  CHECK(invman_effective_depth(0, 0.1) == 0 && invman_effective_depth(-1, 0.1) == 0);
  CHECK(invman_effective_depth(1, 0.1) == HUGE_VAL && invman_effective_depth(1.5, 0.1) == HUGE_VAL);
  CHECK(invman_effective_depth(0.5, 1) == 0 && invman_effective_depth(0.5, 0) == 0 &&
        invman_effective_depth(0.5, -1) == 0);
  for (i = 0; i < L; i++) sigma[i] = 0.5;
  CHECK(invman_chain_depth(sigma, L, 0.125) == 3 && invman_chain_depth(sigma, L, 0.13) == 3);
  CHECK(invman_chain_depth(sigma, L, 0.12) == 4 && invman_chain_depth(sigma, L, 1e-9) == L + 1);
  free(x);
}

static void diagnostics_layer_norm(void) {
  enum { N = 12 };
  double *x = normals(N, 67), v[N], w[N], mean = 0, square = 0, e;
  size_t i;
  for (i = 0; i < N; i++) mean += x[i] / N;
  for (i = 0; i < N; i++) square += (x[i] - mean) * (x[i] - mean);
  for (e = 0; e < 2; e += 0.9) {
    memcpy(v, x, sizeof v);
    invman_layer_norm(v, N, e);
    for (i = 0; i < N; i++) CLOSE(v[i], sqrt((double)N) * (x[i] - mean) / sqrt(square + N * e), 1e-14);
  }
  memcpy(v, x, sizeof v);
  invman_layer_norm(v, N, 0);
  CLOSE(diag_norm(v, N), sqrt((double)N), 1e-14);
  for (i = 0; i < N; i++) w[i] = 1e200 * (3 * x[i] + 7); /* any scale and shift */
  invman_layer_norm(w, N, 0);
  CLOSE(largest_difference(v, w, N), 0, 1e-13);
  for (i = 0; i < N; i++) w[i] = 1e-200 * x[i];
  invman_layer_norm(w, N, 0);
  CLOSE(largest_difference(v, w, N), 0, 1e-13);
  for (i = 0; i < N; i++) w[i] = 0.1;
  invman_layer_norm(w, N, 0);
  for (i = 0; i < N; i++) CHECK(w[i] == 0);
  free(x);
}

static void diagnostics_signal_and_noise(void) {
  /* n = 64, 4000 draws; by another program 0.9672, 0.6872, 0.2302 with the clean signal, 0.9357, 0.4728, 0.0558 of two
     noisy ones. Four deviations of a mean, twice: both are means; predictions neglect terms of order 1/n. */
  enum { N = 64, DRAWS = 4000 };
  static const double snrs[3] = {14.29, 0.893, 0.0558};
  static const double clean[3] = {0.9672, 0.6872, 0.2302}, pairs[3] = {0.9357, 0.4728, 0.0558};
  static const double predicted[3] = {0.9667, 0.6868, 0.2299}, predicted_pairs[3] = {0.9346, 0.4717, 0.0529};
  double signal[N], s[N], a[N], b[N];
  size_t k, draw, i;
  invman_rng rng;
  invman_rng_seed(&rng, 68, 1);
  for (i = 0; i < N; i++) signal[i] = sin(3.0 * (double)i * (double)i);
  invman_layer_norm(signal, N, 0);
  for (k = 0; k < 3; k++) {
    double noise = 0.7, r = sqrt(snrs[k] * (N - 1)) * noise, sum[2] = {0, 0}, square[2] = {0, 0}, bound, allowed, most;
    size_t over = 0;
    CLOSE(invman_snr(r, noise, N), snrs[k], 1e-13 * snrs[k]);
    CLOSE(invman_snr_cosine(snrs[k]), predicted[k], 6e-5);
    CLOSE(invman_snr_cosine(snrs[k]) * invman_snr_cosine(snrs[k]), predicted_pairs[k], 6e-5);
    CLOSE(invman_critical_snr(invman_snr_cosine(snrs[k])), snrs[k], 1e-12 * snrs[k]);
    bound = invman_cosine_bound(r, noise, N, 3);
    most = (r + noise * sqrt(6.0)) / (noise * sqrt(62 - 2 * sqrt(62 * 3.0)));
    CLOSE(bound, fmin(1, most), 1e-14);
    for (i = 0; i < N; i++) s[i] = signal[i] * r / sqrt((double)N);
    for (draw = 0; draw < DRAWS; draw++) {
      double cosine;
      for (i = 0; i < N; i++)
        a[i] = s[i] + noise * invman_rng_normal(&rng), b[i] = s[i] + noise * invman_rng_normal(&rng);
      invman_layer_norm(a, N, 0), invman_layer_norm(b, N, 0);
      cosine = diag_dot(a, signal, N) / N;
      over += fabs(cosine) > bound;
      sum[0] += cosine / DRAWS, square[0] += cosine * cosine / DRAWS;
      cosine = diag_dot(a, b, N) / N;
      sum[1] += cosine / DRAWS, square[1] += cosine * cosine / DRAWS;
    }
    for (i = 0; i < 2; i++) {
      double sigma = sqrt((square[i] - sum[i] * sum[i]) / DRAWS);
      CLOSE(sum[i], i ? pairs[k] : clean[k], 4 * sqrt(2.0) * sigma + 5e-5);
      CLOSE(sum[i], i ? predicted_pairs[k] : predicted[k], 4 * sigma + 1.0 / N);
    }
    allowed = 3 * exp(-3.0);
    CHECK((double)over <= allowed * DRAWS && (double)over <= 0.005 * DRAWS); /* the law's share; measured: 0.05 % */
  }
  CHECK(invman_snr(1, 0, N) == HUGE_VAL);
  CHECK(invman_cosine_bound(1, 1, N, 1000) == 1 && invman_cosine_bound(100, 1, N, 1) == 1 &&
        invman_cosine_bound(1, 1, 2, 1) == 1);
  CLOSE(invman_critical_snr(0.6), 0.36 / 0.64, 1e-15);
  CLOSE(invman_critical_depth(14.29, 0.6, 0.5), log(14.29 / (0.36 / 0.64)) / (2 * log(2.0)), 1e-14);
  CLOSE(invman_critical_depth(0.36 / 0.64 * pow(0.7, -2 * 5.0), 0.6, 0.7), 5, 1e-13); /* five layers of 0.7 */
  CHECK(invman_critical_depth(0.1, 0.6, 0.5) == 0 && invman_critical_depth(10, 0.6, 1) == HUGE_VAL);
  CHECK(invman_critical_depth(10, 0.6, 0) == 0 && invman_critical_depth(HUGE_VAL, 0.6, 0) == 0);
  CHECK(invman_critical_depth(HUGE_VAL, 0.6, 0.5) == HUGE_VAL && invman_critical_depth(10, 0, 0) == 0);
}

static void diagnostics_mode_noise(void) { /* layer by layer: power <- mu^2 power + 1 */
  static const double mus[10] = {0, 0.3, -0.3, 0.9, -0.999, 1, -1, 1 - 1e-9, 1 - 1e-13, -1 + 1e-7};
  static const size_t depths[6] = {0, 1, 2, 17, 400, 3000};
  size_t i, j, l;
  for (i = 0; i < 10; i++)
    for (j = 0; j < 6; j++) {
      double power = 0;
      for (l = 0; l < depths[j]; l++) power = mus[i] * mus[i] * power + 1;
      CLOSE(invman_mode_noise(mus[i], depths[j]), power, 1e-11 * power);
    }
}

/* ---- threads, memory, bad input */

/* Every function of an array of some size, its results in a row; the count of them is returned. */
static size_t diag_everything(const invman_context *ctx, double *out, invman_status *worst) {
  enum { N = 48, H = 70, D = 3, C = 5 };
  diag_kernel k = diag_make_kernel(N, D, 71), l = diag_make_kernel(N, C, 72);
  invman_net net = diag_net(H, D, 73), start;
  invman_data data = diag_data(INVMAN_STRIPE, D, N, 74);
  double *dist = diag_distances(k.x, N, D), *G = normals(C * C, 75), M[C * C];
  invman_rng rng;
  size_t at = 0, count = 0;
  invman_spectrum spectrum;
  invman_angles angles;
  invman_collapse collapse;
  invman_sinkhorn_info info;
  invman_mixing mixing;
  memset(&start, 0, sizeof start);
  memset(&spectrum, 0, sizeof spectrum), memset(&angles, 0, sizeof angles), memset(&collapse, 0, sizeof collapse);
  memset(&info, 0, sizeof info), memset(&mixing, 0, sizeof mixing);
  invman_rng_seed(&rng, 76, 1);
  *worst = INVMAN_OK;
#define DIAG_DO(call, n)          \
  do {                            \
    invman_status s_ = (call);    \
    size_t n_ = (n);              \
    if (s_ < *worst) *worst = s_; \
    at += n_;                     \
  } while (0)
  DIAG_DO(invman_spectral_measures(ctx, k.lambda, N, 0, 0, &spectrum), 0);
  DIAG_DO(invman_von_neumann_entropy(ctx, k.K, N, out + at), 1);
  DIAG_DO(invman_ridge_leverage(ctx, k.lambda, k.U, N, 0.3, out + at, out + at + N), N + 1);
  DIAG_DO(invman_target_alignment(ctx, k.K, k.y, N, out + at), 1);
  DIAG_DO(invman_cumulative_power(ctx, k.U, k.y, N, out + at), N);
  DIAG_DO(invman_rkhs_norm(ctx, k.lambda, k.U, k.y, N, 0, out + at, &count), 1);
  DIAG_DO(invman_spectral_predictor(ctx, k.lambda, k.U, k.y, N, 4, 0.1, l.K, N, out + at), N);
  DIAG_DO(invman_nystrom_extension(ctx, k.lambda, k.U, N, 2, l.K, N, out + at), 2 * N);
  DIAG_DO(invman_centred_alignment(ctx, k.K, l.K, N, 0, out + at), 1);
  DIAG_DO(invman_centred_alignment(ctx, k.K, l.K, N, 2, out + at), 1);
  DIAG_DO(invman_principal_angles(ctx, k.x, 2, l.x, 2, D, out + at, &angles), 2);
  DIAG_DO(invman_subspace_norms(ctx, k.x, 2, D, l.x, N, out + at, out + at + N), 2 * N);
  DIAG_DO(invman_weight_covariance(ctx, &net, 1, out + at), D * D);
  DIAG_DO(invman_input_gradient(ctx, &net, k.x, N, out + at), N * D);
  DIAG_DO(invman_active_subspace(ctx, k.x, N, D, 0, out + at, out + at + D * D, out + at + D * D + D, NULL),
          2 * D * D + D);
  DIAG_DO(invman_stein_moments(ctx, &data, out + at, out + at + D), D + D * D);
  DIAG_DO(invman_stein_directions(ctx, &data, 7, &rng, out + at, out + at + D, out + at + D + D * D, &count),
          2 * D * D);
  DIAG_DO(invman_pullback_metric(ctx, &net, k.x, N, 1, out + at, out + at + N * D * D, out + at + N * D * D + N),
          N * (D * D + 2));
  DIAG_DO(invman_neural_collapse(ctx, k.K, k.y, N, &collapse), 0);
  DIAG_DO(invman_kernel_distances(ctx, k.K, N, out + at), N * N);
  DIAG_DO(invman_point_distances(ctx, k.x, N, D, out + at), N * N);
  DIAG_DO(invman_median_distance(ctx, dist, N, out + at), 1);
  DIAG_DO(invman_two_nn(ctx, dist, N, INVMAN_TWO_NN_MLE, out + at), 1);
  DIAG_DO(invman_two_nn(ctx, dist, N, INVMAN_TWO_NN_FIT, out + at), 1);
  DIAG_DO(invman_local_dimension(ctx, dist, N, 6, INVMAN_LID_MLE, out + at, out + at + N, out + at + N + 1), N + 2);
  DIAG_DO(invman_mst_length(ctx, dist, N, out + at), 1);
  DIAG_DO(invman_diffusion_entropy(ctx, dist, N, 1, 1, out + at), 1);
  DIAG_DO(invman_diffusion_information(ctx, dist, k.y, N, 1, 1, 3, &rng, out + at), 1);
  DIAG_DO(invman_hessian_spectrum(ctx, &net, &data, NULL, out + at, out + at + H), H * (D + 2));
  memset(out + at, 0, H * sizeof(double)); /* not all H crossings are there */
  DIAG_DO(invman_linear_regions(ctx, &net, k.x, k.x + D, out + at, &count), H);
  DIAG_DO(invman_activation_patterns(ctx, &net, k.x, N, &count), 0);
  out[at++] = (double)count;
  DIAG_DO(invman_net_init_orthogonal(ctx, C, D, &rng, &start), 0);
  if (start.w) memcpy(out + at, start.w, C * D * sizeof(double)), at += C * D;
  invman_net_free(ctx, &start);
  memset(M, 0, sizeof M);
  DIAG_DO(invman_sinkhorn(ctx, G, C, 0.7, 0, 0, M, &info), 0);
  memcpy(out + at, M, sizeof M), at += C * C;
  DIAG_DO(invman_centred_singular_values(ctx, G, C, out + at), C);
  if (*worst >= 0) DIAG_DO(invman_mixing_measures(ctx, M, C, &mixing), 0);
  if (*worst >= 0) DIAG_DO(invman_mix_with_identity(ctx, M, C, 0.5), 0);
#undef DIAG_DO
  out[at++] = spectrum.entropy, out[at++] = angles.geodesic, out[at++] = collapse.nc1, out[at++] = collapse.nc2_angles;
  out[at++] = info.residual, out[at++] = mixing.sigma_2, out[at++] = mixing.entropy;
  diag_free_kernel(&k), diag_free_kernel(&l), free(dist), free(G);
  invman_net_free(NULL, &net), invman_data_free(NULL, &data);
  return at;
}

enum { DIAG_ALL = 20000 };

static void diagnostics_same_bits_for_any_threads(void) {
  double *a = (double *)calloc(DIAG_ALL, sizeof(double)), *b = (double *)calloc(DIAG_ALL, sizeof(double));
  invman_context ctx;
  invman_status worst;
  size_t tasks = 0, n;
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = backwards, ctx.user = &tasks;
  n = diag_everything(NULL, a, &worst);
  CHECK(n <= DIAG_ALL && worst == INVMAN_OK);
  CHECK(diag_everything(&ctx, b, &worst) == n && worst == INVMAN_OK);
  CHECK(same_bits(a, b, n));
  free(a), free(b);
}

static void diagnostics_memory(void) { /* every allocation fails in turn: said, and nothing is lost */
  double *a = (double *)calloc(DIAG_ALL, sizeof(double));
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_status worst;
  size_t calls, budget;
  diag_everything(&ctx, a, &worst);
  calls = heap.calls;
  CHECK(worst == INVMAN_OK && heap.now == 0 && heap.blocks == 0 && calls > 20);
  for (budget = 1; budget <= calls; budget += 1 + budget / 12) {
    ctx = test_context(&heap);
    heap.budget = budget;
    diag_everything(&ctx, a, &worst);
    CHECK(worst == INVMAN_E_NOMEM && heap.now == 0 && heap.blocks == 0);
  }
  free(a);
}

static invman_error diag_error;

static invman_context diag_context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &diag_error;
  return ctx;
}

/* at: the element that is named; DIAG_ANY where none need be. */
#define DIAG_ANY ((size_t)-2)
#define DIAG_BAD(call, wanted, at)                                                                                \
  do {                                                                                                            \
    invman_status s_;                                                                                             \
    size_t at_ = (at);                                                                                            \
    memset(&diag_error, 0, sizeof diag_error);                                                                    \
    s_ = (call);                                                                                                  \
    if (s_ != (wanted) || !diag_error.what || (at_ != DIAG_ANY && diag_error.place != at_))                       \
      test_fail(__FILE__, __LINE__, "%s: status %d, place %lu", #call, (int)s_, (unsigned long)diag_error.place); \
  } while (0)

/* Refused, with the element, while x[i] is v. */
#define DIAG_REFUSED(call, x, i, v, wanted) \
  do {                                      \
    double was_ = (x)[i];                   \
    (x)[i] = (v);                           \
    DIAG_BAD(call, wanted, (size_t)(i));    \
    (x)[i] = was_;                          \
  } while (0)

static int diag_all_zero(const void *bytes, size_t n) {
  const unsigned char *b = (const unsigned char *)bytes;
  while (n > 0 && b[n - 1] == 0) n--;
  return n == 0;
}

static void diagnostics_bad_kernels(void) { /* outputs start at zero: untouched and emptied are the same */
  enum { N = 6 };
  const invman_status arg = INVMAN_E_ARG, size = INVMAN_E_SIZE, nan_ = INVMAN_E_NONFINITE;
  const size_t huge = SIZE_MAX / 2;
  diag_kernel k = diag_make_kernel(N, 8, 81);
  double o[4 * N * N], one = 0;
  size_t used = 0;
  invman_spectrum s;
  invman_context ctx = diag_context();
  memset(o, 0, sizeof o), memset(&s, 0, sizeof s);

  DIAG_BAD(invman_spectral_measures(&ctx, NULL, N, 0, 0, &s), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_measures(&ctx, k.lambda, 0, 0, 0, &s), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_measures(&ctx, k.lambda, N, 0, -1, &s), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_measures(&ctx, k.lambda, N, 0, NAN, &s), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_measures(&ctx, k.lambda, N, 0, 0, NULL), arg, DIAG_ANY);
  DIAG_REFUSED(invman_spectral_measures(&ctx, k.lambda, N, 0, 0, &s), k.lambda, 3, NAN, nan_);
  DIAG_REFUSED(invman_spectral_measures(&ctx, k.lambda, N, 0, 0, &s), k.lambda, 5, HUGE_VAL, nan_);

  DIAG_BAD(invman_von_neumann_entropy(&ctx, NULL, N, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_von_neumann_entropy(&ctx, k.K, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_von_neumann_entropy(&ctx, k.K, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_von_neumann_entropy(&ctx, k.K, huge, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_von_neumann_entropy(&ctx, k.K, N, &one), k.K, 9, NAN, nan_);
  DIAG_REFUSED(invman_von_neumann_entropy(&ctx, k.K, N, &one), k.K, 2 * (N + 1), 0, arg);
  DIAG_REFUSED(invman_von_neumann_entropy(&ctx, k.K, N, &one), k.K, 4 * (N + 1), -1, arg);

  DIAG_BAD(invman_ridge_leverage(&ctx, NULL, k.U, N, 1, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, NULL, N, 1, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, k.U, 0, 1, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, k.U, N, 0, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, k.U, N, -1, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, k.U, N, NAN, o, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_ridge_leverage(&ctx, k.lambda, k.U, huge, 1, o, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_ridge_leverage(&ctx, k.lambda, k.U, N, 1, o, &one), k.lambda, 4, NAN, nan_);
  DIAG_REFUSED(invman_ridge_leverage(&ctx, k.lambda, k.U, N, 1, o, &one), k.U, 23, -HUGE_VAL, nan_);

  DIAG_BAD(invman_target_alignment(&ctx, NULL, k.y, N, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_target_alignment(&ctx, k.K, NULL, N, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_target_alignment(&ctx, k.K, k.y, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_target_alignment(&ctx, k.K, k.y, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_target_alignment(&ctx, k.K, k.y, huge, &one), size, DIAG_ANY);
  DIAG_BAD(invman_target_alignment(&ctx, k.K, o, N, &one), arg, DIAG_ANY); /* no labels, and no kernel, at all */
  DIAG_BAD(invman_target_alignment(&ctx, o, k.y, N, &one), arg, DIAG_ANY);
  DIAG_REFUSED(invman_target_alignment(&ctx, k.K, k.y, N, &one), k.K, 35, NAN, nan_);
  DIAG_REFUSED(invman_target_alignment(&ctx, k.K, k.y, N, &one), k.y, 2, NAN, nan_);

  DIAG_BAD(invman_cumulative_power(&ctx, NULL, k.y, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_cumulative_power(&ctx, k.U, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_cumulative_power(&ctx, k.U, k.y, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_cumulative_power(&ctx, k.U, k.y, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_cumulative_power(&ctx, k.U, o, N, o + N), arg, DIAG_ANY);
  DIAG_BAD(invman_cumulative_power(&ctx, k.U, k.y, huge, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_cumulative_power(&ctx, k.U, k.y, N, o), k.U, 7, NAN, nan_);
  DIAG_REFUSED(invman_cumulative_power(&ctx, k.U, k.y, N, o), k.y, 5, HUGE_VAL, nan_);

  DIAG_BAD(invman_rkhs_norm(&ctx, NULL, k.U, k.y, N, 0, &one, &used), arg, DIAG_ANY);
  DIAG_BAD(invman_rkhs_norm(&ctx, k.lambda, NULL, k.y, N, 0, &one, &used), arg, DIAG_ANY);
  DIAG_BAD(invman_rkhs_norm(&ctx, k.lambda, k.U, NULL, N, 0, &one, &used), arg, DIAG_ANY);
  DIAG_BAD(invman_rkhs_norm(&ctx, k.lambda, k.U, k.y, 0, 0, &one, &used), arg, DIAG_ANY);
  DIAG_BAD(invman_rkhs_norm(&ctx, k.lambda, k.U, k.y, N, -1, &one, &used), arg, DIAG_ANY);
  DIAG_REFUSED(invman_rkhs_norm(&ctx, k.lambda, k.U, k.y, N, 0, &one, &used), k.lambda, 1, NAN, nan_);
  DIAG_REFUSED(invman_rkhs_norm(&ctx, k.lambda, k.U, k.y, N, 0, &one, &used), k.U, 30, NAN, nan_);
  DIAG_REFUSED(invman_rkhs_norm(&ctx, k.lambda, k.U, k.y, N, 0, &one, &used), k.y, 0, NAN, nan_);

  DIAG_BAD(invman_spectral_predictor(&ctx, NULL, k.U, k.y, N, 2, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, NULL, k.y, N, 2, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, NULL, N, 2, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, 0, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, 0, k.K, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, 0, 0, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, N + 1, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, -1, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, NAN, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, 0, k.K, huge, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, 0, k.K, N, o), k.K, 17, NAN, nan_);
  DIAG_REFUSED(invman_spectral_predictor(&ctx, k.lambda, k.U, k.y, N, 2, 0, k.K, N, o), k.y, 1, NAN, nan_);

  DIAG_BAD(invman_nystrom_extension(&ctx, NULL, k.U, N, 2, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_nystrom_extension(&ctx, k.lambda, NULL, N, 2, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_nystrom_extension(&ctx, k.lambda, k.U, N, 2, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_nystrom_extension(&ctx, k.lambda, k.U, N, 2, k.K, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_nystrom_extension(&ctx, k.lambda, k.U, N, N + 1, k.K, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_nystrom_extension(&ctx, k.lambda, k.U, 0, 0, k.K, N, o), arg, DIAG_ANY);
  DIAG_REFUSED(invman_nystrom_extension(&ctx, k.lambda, k.U, N, 2, k.K, N, o), k.K, 20, NAN, nan_);
  DIAG_REFUSED(invman_nystrom_extension(&ctx, k.lambda, k.U, N, 2, k.K, N, o), k.lambda, 1, NAN, nan_);

  DIAG_BAD(invman_centred_alignment(&ctx, NULL, k.K, N, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, NULL, N, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, k.K, 0, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, k.K, N, 0, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, k.K, N, N + 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, o, N, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_alignment(&ctx, k.K, k.K, huge, 0, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_centred_alignment(&ctx, k.K, o, N, 0, &one), k.K, 8, NAN, nan_);
  DIAG_REFUSED(invman_centred_alignment(&ctx, k.K, o, N, 0, &one), o, 8, NAN, nan_);
  { /* constant matrices: nothing is left when they are centred */
    double flat[N * N];
    size_t i;
    for (i = 0; i < N * N; i++) flat[i] = 0.1;
    DIAG_BAD(invman_centred_alignment(&ctx, k.K, flat, N, 0, &one), arg, DIAG_ANY);
    DIAG_BAD(invman_centred_alignment(&ctx, flat, k.K, N, 2, &one), arg, DIAG_ANY);
  }
  CHECK(diag_all_zero(o, sizeof o) && diag_all_zero(&one, sizeof one) && diag_all_zero(&s, sizeof s) && used == 0);
  diag_free_kernel(&k);
}

static void diagnostics_bad_directions(void) {
  enum { N = 6, D = 3, H = 4 };
  const invman_status arg = INVMAN_E_ARG, size = INVMAN_E_SIZE, nan_ = INVMAN_E_NONFINITE;
  const size_t huge = SIZE_MAX / 2;
  double *x = normals(N * D, 82), *g = normals(N, 83), o[200], one = 0, flat[2] = {0, 0};
  invman_net net = diag_net(H, D, 84), none, out;
  invman_data data = diag_data(INVMAN_STRIPE, D, N, 85), nothing, other;
  invman_angles a;
  invman_rng rng, before;
  invman_context ctx = diag_context();
  size_t found = 0;
  memset(o, 0, sizeof o), memset(&a, 0, sizeof a), memset(&none, 0, sizeof none), memset(&nothing, 0, sizeof nothing);
  memset(&out, 0, sizeof out);
  invman_rng_seed(&rng, 86, 1);
  before = rng;

  DIAG_BAD(invman_principal_angles(&ctx, NULL, 2, x, 2, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, 2, NULL, 2, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, 0, x, 2, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, 2, x, 0, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, D + 1, x, 2, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, 2, x, D + 1, D, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, x, 2, x, 2, 0, o, &a), arg, DIAG_ANY);
  DIAG_BAD(invman_principal_angles(&ctx, flat, 1, x, 1, 2, o, &a), arg, DIAG_ANY); /* rank 0 */
  DIAG_BAD(invman_principal_angles(&ctx, x, 1, flat, 1, 2, o, &a), arg, DIAG_ANY);
  DIAG_REFUSED(invman_principal_angles(&ctx, x, 2, x + 6, 2, D, o, &a), x, 4, NAN, nan_);
  DIAG_REFUSED(invman_principal_angles(&ctx, x + 6, 2, x, 2, D, o, &a), x, 4, HUGE_VAL, nan_);

  DIAG_BAD(invman_subspace_norms(&ctx, NULL, 2, D, x, N, o, o + N), arg, DIAG_ANY);
  DIAG_BAD(invman_subspace_norms(&ctx, x, 2, D, NULL, N, o, o + N), arg, DIAG_ANY);
  DIAG_BAD(invman_subspace_norms(&ctx, x, 2, 0, x, N, o, o + N), arg, DIAG_ANY);
  DIAG_BAD(invman_subspace_norms(&ctx, x, 2, D, x, 0, o, o + N), arg, DIAG_ANY);
  DIAG_BAD(invman_subspace_norms(&ctx, x, 2, D, x, huge, o, o + N), size, DIAG_ANY);
  DIAG_REFUSED(invman_subspace_norms(&ctx, x, 2, D, x + 6, 4, o, o + N), x, 3, NAN, nan_);
  DIAG_REFUSED(invman_subspace_norms(&ctx, x + 6, 2, D, x, 2, o, o + N), x, 5, NAN, nan_);

  DIAG_BAD(invman_weight_covariance(&ctx, NULL, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_weight_covariance(&ctx, &none, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_weight_covariance(&ctx, &net, 0, NULL), arg, DIAG_ANY);
  DIAG_REFUSED(invman_weight_covariance(&ctx, &net, 0, o), net.w, 7, NAN, nan_);
  DIAG_REFUSED(invman_weight_covariance(&ctx, &net, 1, o), net.beta, 2, NAN, nan_);

  DIAG_BAD(invman_input_gradient(&ctx, NULL, x, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_input_gradient(&ctx, &none, x, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_input_gradient(&ctx, &net, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_input_gradient(&ctx, &net, x, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_input_gradient(&ctx, &net, x, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_input_gradient(&ctx, &net, x, huge, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_input_gradient(&ctx, &net, x, N, o), x, 16, NAN, nan_);
  DIAG_REFUSED(invman_input_gradient(&ctx, &net, x, N, o), net.b, 3, NAN, nan_);

  DIAG_BAD(invman_active_subspace(&ctx, NULL, N, D, 0, o, o + 9, o + 12, o + 21), arg, DIAG_ANY);
  DIAG_BAD(invman_active_subspace(&ctx, x, 0, D, 0, o, o + 9, o + 12, o + 21), arg, DIAG_ANY);
  DIAG_BAD(invman_active_subspace(&ctx, x, N, 0, 0, o, o + 9, o + 12, o + 21), arg, DIAG_ANY);
  DIAG_BAD(invman_active_subspace(&ctx, x, N, D, D + 1, o, o + 9, o + 12, o + 21), arg, DIAG_ANY);
  DIAG_BAD(invman_active_subspace(&ctx, x, huge, D, 0, o, o + 9, o + 12, o + 21), size, DIAG_ANY);
  DIAG_REFUSED(invman_active_subspace(&ctx, x, N, D, 0, o, o + 9, o + 12, o + 21), x, 11, NAN, nan_);

  DIAG_BAD(invman_stein_moments(&ctx, NULL, o, o + D), arg, DIAG_ANY);
  DIAG_BAD(invman_stein_moments(&ctx, &nothing, o, o + D), arg, DIAG_ANY);
  DIAG_REFUSED(invman_stein_moments(&ctx, &data, o, o + D), data.x, 10, NAN, nan_);
  DIAG_REFUSED(invman_stein_moments(&ctx, &data, o, o + D), data.y, 5, NAN, nan_);
  DIAG_BAD(invman_stein_directions(&ctx, NULL, 3, &rng, o, o + D, &one, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_stein_directions(&ctx, &nothing, 3, &rng, o, o + D, &one, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_stein_directions(&ctx, &data, 3, NULL, o, o + D, &one, &found), arg, DIAG_ANY);
  DIAG_REFUSED(invman_stein_directions(&ctx, &data, 3, &rng, o, o + D, &one, &found), data.x, 17, HUGE_VAL, nan_);
  CHECK(memcmp(&rng, &before, sizeof rng) == 0); /* nothing is drawn */

  DIAG_BAD(invman_pullback_metric(&ctx, NULL, x, N, 1, o, o + 100, o + 120), arg, DIAG_ANY);
  DIAG_BAD(invman_pullback_metric(&ctx, &none, x, N, 1, o, o + 100, o + 120), arg, DIAG_ANY);
  DIAG_BAD(invman_pullback_metric(&ctx, &net, NULL, N, 1, o, o + 100, o + 120), arg, DIAG_ANY);
  DIAG_BAD(invman_pullback_metric(&ctx, &net, x, 0, 1, o, o + 100, o + 120), arg, DIAG_ANY);
  DIAG_BAD(invman_pullback_metric(&ctx, &net, x, huge, 1, o, o + 100, o + 120), size, DIAG_ANY);
  DIAG_REFUSED(invman_pullback_metric(&ctx, &net, x, N, 1, o, o + 100, o + 120), x, 2, NAN, nan_);
  DIAG_REFUSED(invman_pullback_metric(&ctx, &net, x, N, 1, o, o + 100, o + 120), net.w, 2, NAN, nan_);

  other = data, other.d = D - 1;
  DIAG_BAD(invman_hessian_spectrum(&ctx, NULL, &data, NULL, o, o + H), arg, DIAG_ANY);
  DIAG_BAD(invman_hessian_spectrum(&ctx, &net, NULL, NULL, o, o + H), arg, DIAG_ANY);
  DIAG_BAD(invman_hessian_spectrum(&ctx, &net, &nothing, NULL, o, o + H), arg, DIAG_ANY);
  DIAG_BAD(invman_hessian_spectrum(&ctx, &net, &other, NULL, o, o + H), arg, DIAG_ANY);
  DIAG_REFUSED(invman_hessian_spectrum(&ctx, &net, &data, g, o, o + H), g, 4, NAN, nan_);
  DIAG_REFUSED(invman_hessian_spectrum(&ctx, &net, &data, g, o, o + H), data.x, 4, NAN, nan_);
  DIAG_REFUSED(invman_hessian_spectrum(&ctx, &net, &data, g, o, o + H), net.w, 1, NAN, nan_);

  DIAG_BAD(invman_linear_regions(&ctx, NULL, x, x + D, o, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_linear_regions(&ctx, &none, x, x + D, o, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_linear_regions(&ctx, &net, NULL, x, o, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_linear_regions(&ctx, &net, x, NULL, o, &found), arg, DIAG_ANY);
  DIAG_REFUSED(invman_linear_regions(&ctx, &net, x, x + D, o, &found), x, 1, NAN, nan_);
  DIAG_REFUSED(invman_linear_regions(&ctx, &net, x + D, x, o, &found), x, 2, HUGE_VAL, nan_);
  DIAG_REFUSED(invman_linear_regions(&ctx, &net, x, x + D, o, &found), net.b, 2, NAN, nan_);

  DIAG_BAD(invman_activation_patterns(&ctx, NULL, x, N, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_activation_patterns(&ctx, &net, NULL, N, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_activation_patterns(&ctx, &net, x, 0, &found), arg, DIAG_ANY);
  DIAG_BAD(invman_activation_patterns(&ctx, &net, x, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_activation_patterns(&ctx, &net, x, huge, &found), size, DIAG_ANY);
  DIAG_REFUSED(invman_activation_patterns(&ctx, &net, x, N, &found), x, 12, NAN, nan_);

  DIAG_BAD(invman_net_init_orthogonal(&ctx, 2, 3, &rng, &out), arg, DIAG_ANY);
  DIAG_BAD(invman_net_init_orthogonal(&ctx, 0, 0, &rng, &out), arg, DIAG_ANY);
  DIAG_BAD(invman_net_init_orthogonal(&ctx, 3, 0, &rng, &out), arg, DIAG_ANY);
  DIAG_BAD(invman_net_init_orthogonal(&ctx, 3, 3, NULL, &out), arg, DIAG_ANY);
  DIAG_BAD(invman_net_init_orthogonal(&ctx, 3, 3, &rng, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_net_init_orthogonal(&ctx, SIZE_MAX / 4, 8, &rng, &out), size, DIAG_ANY);
  CHECK(diag_all_zero(o, sizeof o) && diag_all_zero(&one, sizeof one) && diag_all_zero(&a, sizeof a) && found == 0);
  CHECK(diag_all_zero(&out, sizeof out));
  CHECK(invman_metric_amplification(NULL, 3, 1) == 0 && invman_metric_amplification(x, 0, 0) == 0);
  free(x), free(g), invman_net_free(NULL, &net), invman_data_free(NULL, &data);
}

static void diagnostics_bad_representations(void) {
  enum { N = 8 };
  const invman_status arg = INVMAN_E_ARG, size = INVMAN_E_SIZE, nan_ = INVMAN_E_NONFINITE;
  const size_t huge = SIZE_MAX / 2;
  diag_kernel k = diag_make_kernel(N, 3, 87);
  double *D = diag_distances(k.x, N, 3), o[N * N + N], one = 0, two = 0, *x = normals(64, 88), *E;
  invman_collapse c;
  invman_rng rng, before;
  invman_context ctx = diag_context();
  size_t i;
  memset(o, 0, sizeof o), memset(&c, 0, sizeof c);
  invman_rng_seed(&rng, 89, 1);
  before = rng;
  for (i = 0; i < N; i++) k.y[i] = i < 3 ? 1 : -1;

  DIAG_BAD(invman_neural_collapse(&ctx, NULL, k.y, N, &c), arg, DIAG_ANY);
  DIAG_BAD(invman_neural_collapse(&ctx, k.K, NULL, N, &c), arg, DIAG_ANY);
  DIAG_BAD(invman_neural_collapse(&ctx, k.K, k.y, 0, &c), arg, DIAG_ANY);
  DIAG_BAD(invman_neural_collapse(&ctx, k.K, k.y, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_neural_collapse(&ctx, k.K, k.y, huge, &c), size, DIAG_ANY);
  DIAG_BAD(invman_neural_collapse(&ctx, k.K, o, N, &c), arg, DIAG_ANY); /* one class */
  DIAG_REFUSED(invman_neural_collapse(&ctx, k.K, k.y, N, &c), k.K, 21, NAN, nan_);
  DIAG_REFUSED(invman_neural_collapse(&ctx, k.K, k.y, N, &c), k.y, 4, NAN, nan_);

  DIAG_BAD(invman_kernel_distances(&ctx, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_kernel_distances(&ctx, k.K, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_kernel_distances(&ctx, k.K, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_kernel_distances(&ctx, k.K, huge, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_kernel_distances(&ctx, k.K, N, o), k.K, 30, NAN, nan_);
  DIAG_BAD(invman_point_distances(&ctx, NULL, N, 3, o), arg, DIAG_ANY);
  DIAG_BAD(invman_point_distances(&ctx, k.x, 0, 3, o), arg, DIAG_ANY);
  DIAG_BAD(invman_point_distances(&ctx, k.x, N, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_point_distances(&ctx, k.x, N, 3, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_point_distances(&ctx, k.x, huge, 3, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_point_distances(&ctx, k.x, N, 3, o), k.x, 13, HUGE_VAL, nan_);

  DIAG_BAD(invman_median_distance(&ctx, NULL, N, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_median_distance(&ctx, D, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_median_distance(&ctx, D, 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_median_distance(&ctx, D, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_median_distance(&ctx, D, huge, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_median_distance(&ctx, D, N, &one), D, 3, NAN, nan_);

  DIAG_BAD(invman_two_nn(&ctx, NULL, N, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, 2, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, 0, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, N, 2, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, N, -1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, N, 0, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, D, huge, 0, &one), size, DIAG_ANY);
  DIAG_BAD(invman_two_nn(&ctx, o, N, 0, &one), arg, DIAG_ANY); /* all points are equal */
  DIAG_REFUSED(invman_two_nn(&ctx, D, N, 0, &one), D, 11, NAN, nan_);
  DIAG_REFUSED(invman_two_nn(&ctx, D, N, 0, &one), D, 11, -0.5, arg);

  DIAG_BAD(invman_local_dimension(&ctx, NULL, N, 3, 0, o, &one, &two), arg, DIAG_ANY);
  DIAG_BAD(invman_local_dimension(&ctx, D, 0, 3, 0, o, &one, &two), arg, DIAG_ANY);
  DIAG_BAD(invman_local_dimension(&ctx, D, N, 1, 0, o, &one, &two), arg, DIAG_ANY);
  DIAG_BAD(invman_local_dimension(&ctx, D, N, N, 0, o, &one, &two), arg, DIAG_ANY);
  DIAG_BAD(invman_local_dimension(&ctx, D, N, 3, 3, o, &one, &two), arg, DIAG_ANY);
  DIAG_BAD(invman_local_dimension(&ctx, D, huge, 3, 0, o, &one, &two), size, DIAG_ANY);
  DIAG_REFUSED(invman_local_dimension(&ctx, D, N, 3, 0, o, &one, &two), D, 60, NAN, nan_);

  DIAG_BAD(invman_mst_length(&ctx, NULL, N, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_mst_length(&ctx, D, 0, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_mst_length(&ctx, D, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_mst_length(&ctx, D, huge, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_mst_length(&ctx, D, N, &one), D, 10, HUGE_VAL, nan_);
  DIAG_BAD(invman_mst_dimension(&ctx, D, N, &one), arg, DIAG_ANY); /* too few */
  E = diag_distances(x, 64, 1);
  DIAG_BAD(invman_mst_dimension(&ctx, NULL, 64, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_mst_dimension(&ctx, E, 63, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_mst_dimension(&ctx, E, 64, NULL), arg, DIAG_ANY);
  DIAG_REFUSED(invman_mst_dimension(&ctx, E, 64, &one), E, 100, NAN, nan_);
  for (i = 0; i < 64 * 64; i++)
    if (i / 64 < 4 && i % 64 < 4) E[i] = 0;
  DIAG_BAD(invman_mst_dimension(&ctx, E, 64, &one), arg, DIAG_ANY); /* the first tree has no length */

  DIAG_BAD(invman_diffusion_entropy(&ctx, NULL, N, 1, 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, 0, 1, 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, N, -1, 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, N, NAN, 1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, N, 1, -1, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, N, 1, 1, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_entropy(&ctx, D, huge, 1, 1, &one), size, DIAG_ANY);
  DIAG_REFUSED(invman_diffusion_entropy(&ctx, D, N, 1, 1, &one), D, 14, NAN, nan_);
  DIAG_BAD(invman_diffusion_information(&ctx, NULL, k.y, N, 1, 1, 2, &rng, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, NULL, N, 1, 1, 2, &rng, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, k.y, 0, 1, 1, 2, &rng, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, k.y, N, -1, 1, 2, &rng, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, k.y, N, 1, NAN, 2, &rng, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, k.y, N, 1, 1, 2, NULL, &one), arg, DIAG_ANY);
  DIAG_BAD(invman_diffusion_information(&ctx, D, k.y, N, 1, 1, 2, &rng, NULL), arg, DIAG_ANY);
  DIAG_REFUSED(invman_diffusion_information(&ctx, D, k.y, N, 1, 1, 2, &rng, &one), D, 14, NAN, nan_);
  DIAG_REFUSED(invman_diffusion_information(&ctx, D, k.y, N, 1, 1, 2, &rng, &one), k.y, 6, NAN, nan_);
  CHECK(memcmp(&rng, &before, sizeof rng) == 0);
  CHECK(diag_all_zero(o, sizeof o) && one == 0 && two == 0 && diag_all_zero(&c, sizeof c));
  diag_free_kernel(&k), free(D), free(x), free(E);
}

static void diagnostics_bad_mixing(void) {
  enum { N = 4 };
  const invman_status arg = INVMAN_E_ARG, size = INVMAN_E_SIZE, nan_ = INVMAN_E_NONFINITE;
  const size_t huge = SIZE_MAX / 2;
  double *G = normals(N * N, 90), o[N * N], M[N * N], kept[N * N], v[2] = {1, 2};
  invman_sinkhorn_info info;
  invman_mixing m;
  invman_context ctx = diag_context();
  size_t i;
  memset(o, 0, sizeof o), memset(&info, 0, sizeof info), memset(&m, 0, sizeof m);
  DIAG_BAD(invman_sinkhorn(&ctx, NULL, N, 1, 0, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, 0, 1, 0, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, 0, 0, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, -1, 0, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, NAN, 0, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, 1, -1, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, 1, NAN, 0, o, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, N, 1, 0, 0, NULL, &info), arg, DIAG_ANY);
  DIAG_BAD(invman_sinkhorn(&ctx, G, huge, 1, 0, 0, o, &info), size, DIAG_ANY);
  DIAG_REFUSED(invman_sinkhorn(&ctx, G, N, 1, 0, 0, o, &info), G, 9, NAN, nan_);
  DIAG_REFUSED(invman_sinkhorn(&ctx, G, N, 1, 0, 0, o, &info), G, 9, HUGE_VAL, nan_);
  memcpy(kept, G, sizeof kept);
  for (i = 0; i < N; i++) G[2 * N + i] = -HUGE_VAL; /* a row, then a column, without anything */
  CHECK(invman_sinkhorn(&ctx, G, N, 1, 0, 0, o, &info) < 0);
  memcpy(G, kept, sizeof kept);
  for (i = 0; i < N; i++) G[N * i + 1] = -HUGE_VAL;
  CHECK(invman_sinkhorn(&ctx, G, N, 1, 0, 0, o, &info) < 0);
  memcpy(G, kept, sizeof kept);

  DIAG_BAD(invman_centred_singular_values(&ctx, NULL, N, o), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_singular_values(&ctx, G, 0, o), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_singular_values(&ctx, G, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_centred_singular_values(&ctx, G, huge, o), size, DIAG_ANY);
  DIAG_REFUSED(invman_centred_singular_values(&ctx, G, N, o), G, 15, NAN, nan_);

  for (i = 0; i < N * N; i++) M[i] = 1.0 / N;
  DIAG_BAD(invman_mixing_measures(&ctx, NULL, N, &m), arg, DIAG_ANY);
  DIAG_BAD(invman_mixing_measures(&ctx, M, 1, &m), arg, DIAG_ANY);
  DIAG_BAD(invman_mixing_measures(&ctx, M, N, NULL), arg, DIAG_ANY);
  DIAG_BAD(invman_mixing_measures(&ctx, M, huge, &m), size, DIAG_ANY);
  DIAG_REFUSED(invman_mixing_measures(&ctx, M, N, &m), M, 6, NAN, nan_);
  M[5] += 2e-6;
  DIAG_BAD(invman_mixing_measures(&ctx, M, N, &m), arg, DIAG_ANY);
  M[5] = M[10] = -0.05, M[6] = M[9] = 0.55; /* sums of 1, but entries below 0 */
  DIAG_BAD(invman_mixing_measures(&ctx, M, N, &m), arg, 5);

  memcpy(kept, M, sizeof kept);
  DIAG_BAD(invman_mix_with_identity(&ctx, NULL, N, 0.5), arg, DIAG_ANY);
  DIAG_BAD(invman_mix_with_identity(&ctx, M, 0, 0.5), arg, DIAG_ANY);
  DIAG_BAD(invman_mix_with_identity(&ctx, M, N, -0.1), arg, DIAG_ANY);
  DIAG_BAD(invman_mix_with_identity(&ctx, M, N, 1.1), arg, DIAG_ANY);
  DIAG_BAD(invman_mix_with_identity(&ctx, M, N, NAN), arg, DIAG_ANY);
  CHECK(same_bits(M, kept, N * N));
  CHECK(diag_all_zero(o, sizeof o) && diag_all_zero(&info, sizeof info) && diag_all_zero(&m, sizeof m));
  invman_layer_norm(NULL, 3, 0), invman_layer_norm(v, 0, 0); /* nothing happens */
  CHECK(v[0] == 1 && invman_chain_depth(NULL, 0, 0.1) == 1);
  free(G);
}

static void diagnostics_overflow(
    void) { /* beyond all numbers: refused, outputs empty; a large value that is one is right */
  enum { N = 3 };
  const double big = DBL_MAX;
  double lambda[N] = {DBL_MAX, DBL_MAX, DBL_MAX}, o[N * N], one = 0, x[N] = {DBL_MAX, -DBL_MAX, 0}, y[N] = {1, 1, 1};
  double U[N * N] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, tiny[N] = {1e-300, 1e-300, 1e-300}, K[N * N];
  invman_spectrum s;
  invman_net net = diag_net(4, N, 91);
  invman_data data;
  size_t i, used = 0;
  invman_context ctx = diag_context();
  memset(o, 0, sizeof o), memset(&s, 0, sizeof s);
  for (i = 0; i < N * N; i++) K[i] = i % (N + 1) == 0 ? big : 0.9 * big;
  DIAG_BAD(invman_spectral_measures(&ctx, lambda, N, 0, 0, &s), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(diag_all_zero(&s, sizeof s));
  lambda[1] = lambda[2] = 0;
  CHECK(invman_spectral_measures(&ctx, lambda, N, 1, 0, &s) == INVMAN_OK && s.sum == big && s.effective_rank == 1);
  DIAG_BAD(invman_point_distances(&ctx, x, N, 1, o), INVMAN_E_NONFINITE, 1);
  CHECK(diag_all_zero(o, sizeof o));
  x[1] = 0;
  CHECK(invman_point_distances(&ctx, x, N, 1, o) == INVMAN_OK && o[1] == big && o[5] == 0);
  CHECK(invman_two_nn(&ctx, o, N, 0, &one) == INVMAN_E_ARG && one == 0); /* two of three points are equal */
  CHECK(invman_kernel_distances(&ctx, K, N, o) == INVMAN_OK);
  CLOSE(o[1] / sqrt(0.2 * big), 1, 1e-12);
  CHECK(invman_target_alignment(&ctx, K, y, N, &one) == INVMAN_OK && one > 0.9 && one <= 1);
  CHECK(invman_centred_alignment(&ctx, K, U, N, 0, &one) == INVMAN_OK);
  CLOSE(one, 1, 1e-12);
  one = 0;
  for (i = 0; i < N; i++) y[i] = 1e200;
  DIAG_BAD(invman_rkhs_norm(&ctx, tiny, U, y, N, 0, &one, &used), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(one == 0 && used == 0);
  memset(o, 0, sizeof o);
  DIAG_BAD(invman_spectral_predictor(&ctx, tiny, U, y, N, N, 0, U, N, o), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(diag_all_zero(o, sizeof o));
  for (i = 0; i < 4 * N; i++) net.w[i] = 1e200;
  for (i = 0; i < 4; i++) net.b[i] = 1;
  x[0] = x[1] = x[2] = 1;
  DIAG_BAD(invman_weight_covariance(&ctx, &net, 0, o), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(diag_all_zero(o, sizeof o));
  DIAG_BAD(invman_pullback_metric(&ctx, &net, x, 1, 1, o, NULL, NULL), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(diag_all_zero(o, sizeof o));
  x[0] = 1e200, y[0] = 1, data.n = 1, data.d = N, data.x = x, data.y = y;
  DIAG_BAD(invman_stein_moments(&ctx, &data, NULL, o), INVMAN_E_NONFINITE, DIAG_ANY);
  CHECK(diag_all_zero(o, sizeof o));
  invman_net_free(NULL, &net);
}

/* ---- what learned features do to all of them */

#ifndef TEST_QUICK

enum { DIAG_LOOKS = 8 };

static double diag_learned_angle(const invman_net *net) { /* of the direction that the neurons look at, and e_1 */
  double C[25], value[5], axis[5] = {1, 0, 0, 0, 0};
  invman_angles angles;
  memset(&angles, 0, sizeof angles);
  CHECK(invman_weight_covariance(NULL, net, 1, C) == INVMAN_OK && invman_eigh(NULL, 5, C, value) == INVMAN_OK);
  CHECK(invman_principal_angles(NULL, C, 1, axis, 1, 5, NULL, &angles) == INVMAN_OK);
  return angles.largest;
}

/* Of a network and its training set: 0 entropy of the tangent kernel's spectrum, 1 its alignment with the labels, 2 the
   angle; 3 crossings on segments of length 6 along e_1, through 40 points, 4 along the other axes, on average; 5 mean
   Lambda_g; 6, 7 the metric's g_11 at the right interface and far beyond it. K (n,n): the kernel. */
static void diag_look(const invman_net *net, const invman_data *data, double look[DIAG_LOOKS], double *K) {
  enum { D = 5, THROUGH = 40 };
  size_t n = data->n, i, j, l, count;
  double *A = (double *)malloc(n * n * sizeof(double)), *lambda = (double *)malloc(n * sizeof(double));
  double places[2 * D], g[2 * D * D], a[D], b[D];
  invman_spectrum spectrum;
  memset(look, 0, DIAG_LOOKS * sizeof(double));
  memset(&spectrum, 0, sizeof spectrum), memset(places, 0, sizeof places);
  CHECK(invman_ntk_gram(NULL, net, INVMAN_NTK_ALL, data->x, n, NULL, 0, K) == INVMAN_OK);
  memcpy(A, K, n * n * sizeof(double));
  CHECK(invman_eigvalsh(NULL, n, A, lambda) == INVMAN_OK);
  CHECK(invman_spectral_measures(NULL, lambda, n, 0, 0, &spectrum) == INVMAN_OK);
  look[0] = spectrum.entropy;
  CHECK(invman_target_alignment(NULL, K, data->y, n, look + 1) == INVMAN_OK);
  look[2] = diag_learned_angle(net);
  for (i = 0; i < THROUGH; i++)
    for (j = 0; j < D; j++) {
      for (l = 0; l < D; l++) a[l] = data->x[i * D + l] - (l == j ? 3 : 0), b[l] = a[l] + (l == j ? 6 : 0);
      CHECK(invman_linear_regions(NULL, net, a, b, NULL, &count) == INVMAN_OK);
      look[j == 0 ? 3 : 4] += (double)count / (j == 0 ? THROUGH : THROUGH * (D - 1));
    }
  CHECK(invman_pullback_metric(NULL, net, data->x, n, 1, NULL, NULL, lambda) == INVMAN_OK);
  for (i = 0; i < n; i++) look[5] += lambda[i] / (double)n;
  places[0] = invman_equiprobable_x_max(-0.3), places[D] = 4;
  CHECK(invman_pullback_metric(NULL, net, places, 2, 1, g, NULL, NULL) == INVMAN_OK);
  look[6] = g[0], look[7] = g[D * D];
  free(A), free(lambda);
}

/* What a trained network must show against the one at the start, and a lazily trained one must not. Measured in ten of
   ten seeds (p = 400, h = 500), from -> to: entropy 2.10..2.32 -> 1.59..1.93, fallen by 0.18..0.65; alignment times
   2.4..5; angle 0.71..1.41 -> 0.008..0.050; crossings along e_1 231..248 -> 420..458, across 232..254 -> 33..71;
   Lambda_g 0.90..1.04 -> 8..21; g_11 at the interface over g_11 beyond 0.8..1.2 -> 1.5..9; centred alignment of the two
   kernels 0.72..0.83. Lazy: entropy within 1.2e-4, alignment within 4e-4, centred alignment 1 within 2e-6. */
static void diag_check_learning(test_problem *q, const double *before, const double *K) {
  size_t n = q->train.n;
  double after[DIAG_LOOKS], *L = (double *)malloc(n * n * sizeof(double));
  diag_look(&q->net, &q->train, after, L);
  CHECK(after[0] < before[0] - 0.08);
  CHECK(after[1] > 1.5 * before[1]);
  CHECK(before[2] > 0.4 && after[2] < 0.12);
  CHECK(after[3] > 1.2 * before[3] && after[3] < 2.8 * before[3]);
  CHECK(after[4] < 0.45 * before[4]);
  CHECK(fabs(before[5] - 1) < 0.25 && after[5] > 4);
  CHECK(fabs(before[6] / before[7] - 1) < 0.5 && after[6] > 1.2 * after[7]);
  CHECK(diag_cka(K, L, n, 0) < 0.92);
  free(L);
}

static void diag_check_lazy(const invman_net *start, const invman_data *train, const double *before, const double *K) {
  invman_flow_options o;
  invman_net net;
  double lazy[DIAG_LOOKS], *L = (double *)malloc(train->n * train->n * sizeof(double));
  memset(&net, 0, sizeof net), memset(&o, 0, sizeof o);
  o.alpha = 1e5;
  CHECK(invman_net_copy(NULL, start, &net) == INVMAN_OK && invman_train(NULL, &net, train, &o, NULL) == INVMAN_OK);
  diag_look(&net, train, lazy, L);
  CLOSE(lazy[0], before[0], 2e-3);
  CLOSE(lazy[1], before[1], 5e-3 * before[1]);
  CLOSE(diag_cka(K, L, train->n, 0), 1, 3e-5);
  invman_net_free(NULL, &net), free(L);
}

static void diagnostics_of_learned_features(void) {
  /* The angle's median over the seeds falls like p^-1/2 for many points: with 40 seeds 0.079, 0.027, 0.0104 for p =
     100, 400, 1600, with 20 seeds 0.0061 for p = 6400. That is p^-0.54 from 400 on, but p^-0.73 over the three that
     there is time for (at t*: 0.28, 0.097, 0.043, 0.025). Ten seeds' medians are right to a fifth, the exponent to 0.1:
     it is -0.80 here, and three such errors about -0.73 are allowed. */
  enum { D = 5, SEEDS = TEST_WHOLE ? 10 : 4, H = 500, PS = 3 };
  static const double ps[PS] = {100, 400, 1600};
  double angle[SEEDS], medians[PS], exponent, before[DIAG_LOOKS], *K = (double *)malloc(400 * 400 * sizeof(double));
  size_t k, seed;
  for (k = 0; k < PS; k++) {
    for (seed = 0; seed < SEEDS; seed++) {
      test_problem q = make_problem(INVMAN_STRIPE, D, (size_t)ps[k], H, 40 + seed);
      if (k == 1) diag_look(&q.net, &q.train, before, K), diag_check_lazy(&q.net, &q.train, before, K);
      CHECK(invman_train(NULL, &q.net, &q.train, NULL, NULL) == INVMAN_OK);
      if (k == 1) diag_check_learning(&q, before, K);
      angle[seed] = diag_learned_angle(&q.net);
      free_problem(&q);
    }
    medians[k] = median(angle, SEEDS);
  }
  CHECK(invman_fit_power_law(NULL, ps, medians, PS, &exponent, NULL) == INVMAN_OK);
  CHECK(exponent > -1.1 && exponent < -0.4);
  free(K);
}

#endif

static void diagnostics_tests(void) {
  RUN(diagnostics_spectrum_closed_forms);
  RUN(diagnostics_spectrum_inequalities);
  RUN(diagnostics_von_neumann);
  RUN(diagnostics_unexplained_area);
  RUN(diagnostics_ridge_leverage);
  RUN(diagnostics_target_alignment);
  RUN(diagnostics_cumulative_power);
  RUN(diagnostics_rkhs_norm);
  RUN(diagnostics_truncation);
  RUN(diagnostics_centred_alignment);
  RUN(diagnostics_angles_closed_forms);
  RUN(diagnostics_angles_of_any_bases);
  RUN(diagnostics_angles_of_random_planes);
  RUN(diagnostics_subspace_norms);
  RUN(diagnostics_weight_covariance);
  RUN(diagnostics_input_gradient);
  RUN(diagnostics_active_subspace);
  RUN(diagnostics_stein_moments);
  RUN(diagnostics_stein_ties);
  RUN(diagnostics_stein_finds_the_directions);
  RUN(diagnostics_stein_finds_nothing_in_noise);
  RUN(diagnostics_metric_closed_forms);
  RUN(diagnostics_metric_at_the_start);
  RUN(diagnostics_collapse_is_the_plain_one);
  RUN(diagnostics_collapse_closed_forms);
  RUN(diagnostics_distances);
  RUN(diagnostics_dimension_is_the_plain_one);
  RUN(diagnostics_dimension_closed_forms);
  RUN(diagnostics_dimension_beyond_quotients);
  RUN(diagnostics_dimension_of_tori);
  RUN(diagnostics_dimension_of_lattices);
  RUN(diagnostics_dimension_invariances);
  RUN(diagnostics_dimension_of_gaussians);
  RUN(diagnostics_tree);
  RUN(diagnostics_mst_dimension);
  RUN(diagnostics_diffusion_entropy);
  RUN(diagnostics_diffusion_information);
  RUN(diagnostics_hessian_spectrum);
  RUN(diagnostics_gauss_newton);
  RUN(diagnostics_growth_is_the_flow);
  RUN(diagnostics_growth_at_the_attractors);
  RUN(diagnostics_linear_regions);
  RUN(diagnostics_crossings_at_the_start);
  RUN(diagnostics_activation_patterns);
  RUN(diagnostics_orthogonal_start);
  RUN(diagnostics_sinkhorn_closed_forms);
  RUN(diagnostics_sinkhorn_is_the_maximum);
  RUN(diagnostics_sinkhorn_symmetries);
  RUN(diagnostics_sinkhorn_zeros_and_limits);
  RUN(diagnostics_centred_singular_values);
  RUN(diagnostics_mixing_bounds);
  RUN(diagnostics_mixing_closed_forms);
  RUN(diagnostics_mixing_depth);
  RUN(diagnostics_layer_norm);
  RUN(diagnostics_signal_and_noise);
  RUN(diagnostics_mode_noise);
  RUN(diagnostics_same_bits_for_any_threads);
  RUN(diagnostics_memory);
  RUN(diagnostics_bad_kernels);
  RUN(diagnostics_bad_directions);
  RUN(diagnostics_bad_representations);
  RUN(diagnostics_bad_mixing);
  RUN(diagnostics_overflow);
#ifndef TEST_QUICK
  RUN(diagnostics_of_learned_features);
#endif
}
