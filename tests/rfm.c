/* Kernels of deeper networks, and kernels that learn their metric: golden values, the limit of random networks, finite
   differences, invariances, and what the stripe is learned to. */

/* ---- invman_ntk_gram_deep */

static double deep_size(const double *K, size_t n, size_t i, size_t j) { return sqrt(K[i * n + i] * K[j * n + j]); }

static void deep_golden(void) { /* equal, nearly equal and opposite points, lengths of 1e-8 to 1e8 */
  enum { N = 10, D = 3 };
  const char *path = GOLDEN "ntk_deep.txt";
  double *x = golden(path, "x", N * D), K[N * N], column[N];
  size_t layers, i, j;
  int bits, part;
  for (layers = 2; layers <= 5; layers++)
    for (part = INVMAN_NTK_ALL; part <= INVMAN_NTK_LAST_LAYER; part += 2)
      for (bits = 128; bits <= widest_bits(); bits *= 2) {
        char key[32];
        double *wanted;
        invman_context ctx;
        memset(&ctx, 0, sizeof ctx);
        ctx.vector_bits = bits;
        snprintf(key, sizeof key, "%s_%d", part ? "last" : "all", (int)layers);
        wanted = golden(path, key, N * N);
        CHECK(invman_ntk_gram_deep(&ctx, D, layers, part, x, N, NULL, 0, K) == INVMAN_OK);
        for (i = 0; i < N; i++)
          for (j = 0; j < N; j++) {
            CLOSE(K[i * N + j], wanted[i * N + j], 3e-15 * deep_size(wanted, N, i, j));
            CHECK(K[i * N + j] == K[j * N + i]);
          }
        for (j = 0; j < N; j++) { /* as the lazy flow asks for it */
          CHECK(invman_ntk_gram_deep(&ctx, D, layers, part, x, N, x + j * D, 1, column) == INVMAN_OK);
          for (i = 0; i < N; i++) CHECK(column[i] == K[i * N + j]);
        }
        free(wanted);
      }
  free(x);
}

static void deep_one_layer(void) {
  enum { N = 60, D = 5 };
  double *x = infinite_points(N, D, 4), K[N * N], deep[N * N];
  int part;
  for (part = INVMAN_NTK_ALL; part <= INVMAN_NTK_LAST_LAYER; part++) {
    CHECK(invman_ntk_gram_infinite(NULL, D, part, x, N, NULL, 0, K) == INVMAN_OK);
    CHECK(invman_ntk_gram_deep(NULL, D, 1, part, x, N, NULL, 0, deep) == INVMAN_OK);
    CHECK(same_bits(K, deep, N * N));
  }
  free(x);
}

static void deep_diagonal(void) { /* S_l = q + l - 1 and k' = 1: K = q + L - 1 + sum_l (q + l - 1) */
  enum { N = 9, D = 7 };
  double *x = normals(N * D, 1), K[N * N];
  size_t layers, i;
  for (layers = 1; layers < 40; layers += 1 + layers / 3)
    for (i = 0; i < N; i++) {
      double L = (double)layers, q = invman_i_inner(x + i * D, x + i * D, D) / D + 1;
      CHECK(invman_ntk_gram_deep(NULL, D, layers, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
      CLOSE(K[i * (N + 1)], q + L - 1 + L * q + L * (L - 1) / 2, 1e-15 * L * K[i * (N + 1)]);
      CHECK(invman_ntk_gram_deep(NULL, D, layers, INVMAN_NTK_FIRST_LAYER, x, N, NULL, 0, K) == INVMAN_OK);
      CLOSE(K[i * (N + 1)], q, 1e-15 * q);
      CHECK(invman_ntk_gram_deep(NULL, D, layers, INVMAN_NTK_LAST_LAYER, x, N, NULL, 0, K) == INVMAN_OK);
      CLOSE(K[i * (N + 1)], q + L - 1, 1e-15 * L * q);
    }
  free(x);
}

/* h times the tangent kernel of a random network of two hidden layers of h neurons, and its part of the last layer */
static void deep_random(const double *x, size_t n, size_t d, size_t h, uint64_t seed, double *all, double *last) {
  double *w = normals(h * d, seed), *b = normals(h, seed + 1), *W = normals(h * h, seed + 2);
  double *c = normals(h, seed + 3), *beta = normals(h, seed + 4), *z = (double *)calloc(4 * n * h, sizeof(double));
  double *one = z, *two = z + n * h, *slope = two + n * h, *back = slope + n * h, root = 1 / sqrt((double)h);
  size_t i, j, k, p;
  for (p = 0; p < n; p++) {
    for (j = 0; j < h; j++)
      one[p * h + j] =
          sqrt(2) * fmax(0, invman_i_inner(w + j * d, x + p * d, d) / sqrt((double)d) + b[j]); /* sigma(z), as two */
    for (i = 0; i < h; i++) {
      double t = invman_i_inner(W + i * h, one + p * h, h) * root + c[i];
      two[p * h + i] = sqrt(2) * fmax(0, t);
      slope[p * h + i] = t > 0 ? sqrt(2) * beta[i] : 0;
      for (j = 0; t > 0 && j < h; j++) back[p * h + j] += slope[p * h + i] * W[i * h + j] * root;
    }
    for (j = 0; j < h; j++) back[p * h + j] *= one[p * h + j] > 0 ? sqrt(2) : 0;
  }
  for (p = 0; p < n; p++)
    for (k = 0; k < n; k++) {
      double share = 1 / (double)h;
      last[p * n + k] = share * invman_i_inner(two + p * h, two + k * h, h);
      all[p * n + k] = last[p * n + k] +
                       share * invman_i_inner(slope + p * h, slope + k * h, h) *
                           (share * invman_i_inner(one + p * h, one + k * h, h) + 1) +
                       share * invman_i_inner(back + p * h, back + k * h, h) *
                           (invman_i_inner(x + p * d, x + k * d, d) / (double)d + 1);
    }
  free(w), free(b), free(W), free(c), free(beta), free(z);
}

static void deep_is_the_limit(void) { /* of wide random networks: within four standard errors of their mean */
  enum { N = 5, D = 3, H = 800, NETS = 20 };
  double *x = normals(N * D, 3), K[2][N * N], sum[2][N * N], square[2][N * N], one[2][N * N];
  size_t i, net, part;
  memset(sum, 0, sizeof sum);
  memset(square, 0, sizeof square);
  for (net = 0; net < NETS; net++) {
    deep_random(x, N, D, H, 100 + 10 * net, one[0], one[1]);
    for (part = 0; part < 2; part++)
      for (i = 0; i < N * N; i++) sum[part][i] += one[part][i], square[part][i] += one[part][i] * one[part][i];
  }
  for (part = 0; part < 2; part++) {
    CHECK(invman_ntk_gram_deep(NULL, D, 2, part ? INVMAN_NTK_LAST_LAYER : INVMAN_NTK_ALL, x, N, NULL, 0, K[part]) ==
          INVMAN_OK);
    for (i = 0; i < N * N; i++) {
      double mean = sum[part][i] / NETS, spread = sqrt((square[part][i] / NETS - mean * mean) / (NETS - 1));
      CLOSE(K[part][i], mean, 4 * spread);
      CHECK(spread < 0.03 * K[part][i]);
    }
  }
  free(x);
}

static void deep_shapes(void) { /* an entry has the same bits whatever it is computed with */
  static const size_t sizes[] = {1, 2, 9, 16, 49, 200};
  size_t a, b, i, j;
  int bits;
  for (bits = 128; bits <= widest_bits(); bits *= 2)
    for (a = 0; a < 6; a++)
      for (b = 0; b < 6; b++) {
        size_t n = sizes[a], m = sizes[b];
        double *x = infinite_points(n, 5, 1), *z = infinite_points(m, 5, 1), one;
        double *K = (double *)malloc(n * m * sizeof(double));
        invman_context ctx;
        memset(&ctx, 0, sizeof ctx);
        ctx.vector_bits = bits;
        CHECK(invman_ntk_gram_deep(&ctx, 5, 3, INVMAN_NTK_ALL, x, n, z, m, K) == INVMAN_OK);
        for (i = 0; i < n; i += 1 + i / 7)
          for (j = 0; j < m; j += 1 + j / 7) {
            CHECK(invman_ntk_gram_deep(&ctx, 5, 3, INVMAN_NTK_ALL, x + i * 5, 1, z + j * 5, 1, &one) == INVMAN_OK);
            CHECK(one == K[i * m + j]);
          }
        free(x), free(z), free(K);
      }
}

static void deep_bad_input(void) {
  double x[4] = {1, 2, 3, 4}, K[4] = {7, 7, 7, 7};
  invman_error error;
  invman_context ctx;
  size_t k;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_ntk_gram_deep(&ctx, 2, 0, 0, x, 2, NULL, 0, K) == INVMAN_E_ARG && K[0] == 7);
  CHECK(invman_ntk_gram_deep(&ctx, 2, 2, 3, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram_deep(&ctx, 0, 2, 0, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram_deep(&ctx, 2, 2, 0, NULL, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram_deep(&ctx, 2, 2, 0, x, 2, NULL, 0, NULL) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram_deep(&ctx, 2, 2, 0, x, 0, NULL, 0, K) == INVMAN_OK && K[0] == 7);
  for (k = 0; k < 3; k++) {
    int part = (int)k;
    x[3] = k == 1 ? -HUGE_VAL : k == 2 ? (double)NAN : HUGE_VAL;
    CHECK(invman_ntk_gram_deep(&ctx, 2, 3, part, x, 2, NULL, 0, K) == INVMAN_E_NONFINITE && error.place == 3);
    CHECK(invman_ntk_gram_deep(&ctx, 2, 3, part, x, 1, x, 2, K) == INVMAN_E_NONFINITE && error.place == 3);
    CHECK(K[0] == 0 && K[1] == 0);
    x[3] = 1e200;
    CHECK(invman_ntk_gram_deep(&ctx, 2, 3, part, x, 2, NULL, 0, K) == INVMAN_E_NONFINITE && K[3] == 0);
  }
}

/* ---- a learned kernel, to be tried */

enum { RFM_N = 24, RFM_D = 4, RFM_KINDS = 6 };

/* kind 0 to 3: tangent kernels of so many more layers than one; 4 and 5: Laplace, Gauss */
static invman_rfm_options rfm_options(int kind) {
  invman_rfm_options o;
  memset(&o, 0, sizeof o);
  o.kernel = kind < 4 ? INVMAN_RFM_NTK : kind == 4 ? INVMAN_RFM_LAPLACE : INVMAN_RFM_GAUSS;
  o.layers = kind < 4 ? (size_t)kind + 1 : 0;
  return o;
}

/* M = A A'/rank of a random A (d,rank) */
static void rfm_metric(size_t d, size_t rank, uint64_t seed, double *M) {
  double *A = normals(d * rank, seed);
  size_t i, j;
  for (i = 0; i < d; i++)
    for (j = 0; j < d; j++) M[i * d + j] = invman_i_inner(A + i * rank, A + j * rank, rank) / (double)rank;
  free(A);
}

/* What agop should be, by differences of the predictor without the terms of points equal to the one looked at. */
static void rfm_differences(const invman_data *train, const invman_rfm_options *o, const double *M, const double *a,
                            double step, double *agop) {
  size_t n = train->n, d = train->d, i, j, k, l;
  double *others = (double *)malloc(n * sizeof(double)), *x = (double *)malloc(4 * d * d * sizeof(double));
  double *F = (double *)malloc(4 * d * sizeof(double)), *g = (double *)malloc(d * sizeof(double));
  memset(agop, 0, d * d * sizeof(double));
  for (i = 0; i < n; i++) {
    for (j = 0; j < n; j++) others[j] = same_bits(train->x + i * d, train->x + j * d, d) ? 0 : a[j];
    for (k = 0; k < d; k++)
      for (l = 0; l < 4; l++) {
        memcpy(x + (4 * k + l) * d, train->x + i * d, d * sizeof(double));
        x[(4 * k + l) * d + k] += step * (l == 0 ? -2 : l == 1 ? -1 : l == 2 ? 1 : 2);
      }
    CHECK(invman_rfm_predict(NULL, train, o, M, others, x, 4 * d, F) == INVMAN_OK);
    for (k = 0; k < d; k++)
      g[k] = (F[4 * k] - 8 * F[4 * k + 1] + 8 * F[4 * k + 2] - F[4 * k + 3]) / (12 * step); /* of fourth order */
    for (k = 0; k < d; k++)
      for (l = 0; l < d; l++) agop[k * d + l] += g[k] * g[l] / (double)n;
  }
  free(others), free(x), free(F), free(g);
}

static void rfm_agop_by_differences(void) { /* every kernel and depth; M the identity, diagonal, full, of rank 2 */
  double M[RFM_D * RFM_D], agop[RFM_D * RFM_D], wanted[RFM_D * RFM_D], *a = normals(RFM_N, 2);
  test_problem q = make_problem(INVMAN_STRIPE, RFM_D, RFM_N, 4, 1);
  int kind, metric, twice;
  size_t i, j;
  for (twice = 0; twice < 2; twice++) {
    for (kind = 0; kind < RFM_KINDS; kind++)
      for (metric = twice ? 2 : 0; metric < (twice ? 3 : 4); metric++) {
        invman_rfm_options o = rfm_options(kind);
        double most;
        rfm_metric(RFM_D, metric == 3 ? 2 : 6, 5, M);
        for (i = 0; i < RFM_D; i++)
          for (j = 0; j < RFM_D; j++)
            if (metric < 2) M[i * RFM_D + j] = i != j ? 0 : metric == 0 ? 1 : 0.2 + (double)i;
        CHECK(invman_kernel_agop(NULL, &q.train, &o, M, a, agop) == INVMAN_OK);
        rfm_differences(&q.train, &o, M, a, 1e-4, wanted);
        most = invman_i_largest(wanted, RFM_D * RFM_D);
        CHECK(most > 1e-3);
        for (i = 0; i < RFM_D * RFM_D; i++) CLOSE(agop[i], wanted[i], 1e-6 * most);
        for (i = 0; i < RFM_D; i++)
          for (j = 0; j < RFM_D; j++) CHECK(agop[i * RFM_D + j] == agop[j * RFM_D + i]);
        memcpy(wanted, agop, sizeof agop);
        o.diagonal = 1;
        CHECK(invman_kernel_agop(NULL, &q.train, &o, M, a, agop) == INVMAN_OK);
        for (i = 0; i < RFM_D * RFM_D; i++) CHECK(agop[i] == (i % (RFM_D + 1) == 0 ? wanted[i] : 0));
      }
    for (i = 0; i < 8; i++) memcpy(q.train.x + i * RFM_D, q.train.x + (i + 12) * RFM_D, RFM_D * sizeof(double));
  } /* and with points that are there twice */
  free_problem(&q);
  free(a);
}

/* B = Q A Q', all (n,n), n at most 16. */
static void rfm_turn(const double *A, const double *Q, size_t n, double *B) {
  double AQ[256];
  size_t i, j, k;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) AQ[i * n + j] = invman_i_inner(A + i * n, Q + j * n, n);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++)
      for (k = 0, B[i * n + j] = 0; k < n; k++) B[i * n + j] += Q[i * n + k] * AQ[k * n + j];
}

static void rfm_invariances(void) { /* x and M rotated together; a scaled; labels turned around */
  enum { D = RFM_D };
  double M[D * D], turned[D * D], agop[D * D], other[D * D], Q[D * D], lambda[D], F[30], G[30], *a = normals(RFM_N, 2);
  double wanted[D * D];
  test_problem q = make_problem(INVMAN_STRIPE, D, RFM_N, 4, 1), r = make_problem(INVMAN_STRIPE, D, RFM_N, 4, 1);
  size_t i, j, k;
  int kind;
  rfm_metric(D, 7, 9, Q);
  CHECK(invman_eigh(NULL, D, Q, lambda) == INVMAN_OK); /* a rotation */
  rfm_metric(D, 6, 5, M);
  rfm_turn(M, Q, D, turned);
  for (i = 0; i < D; i++)
    for (j = 0; j < i; j++) turned[i * D + j] = turned[j * D + i];
  for (i = 0; i < RFM_N; i++)
    for (k = 0; k < D; k++) r.train.x[i * D + k] = invman_i_inner(Q + k * D, q.train.x + i * D, D);
  for (i = 0; i < 30; i++)
    for (k = 0; k < D; k++) r.test.x[i * D + k] = invman_i_inner(Q + k * D, q.test.x + i * D, D);
  for (kind = 0; kind < RFM_KINDS; kind++) {
    invman_rfm_options o = rfm_options(kind);
    double most;
    CHECK(invman_rfm_predict(NULL, &q.train, &o, M, a, q.test.x, 30, F) == INVMAN_OK);
    CHECK(invman_rfm_predict(NULL, &r.train, &o, turned, a, r.test.x, 30, G) == INVMAN_OK);
    CLOSE(largest_difference(F, G, 30), 0, 1e-12 * (1 + invman_i_largest(F, 30)));
    CHECK(invman_kernel_agop(NULL, &q.train, &o, M, a, agop) == INVMAN_OK);
    CHECK(invman_kernel_agop(NULL, &r.train, &o, turned, a, other) == INVMAN_OK);
    most = invman_i_largest(agop, D * D);
    rfm_turn(agop, Q, D, wanted);
    CLOSE(largest_difference(other, wanted, D * D), 0, 1e-11 * most);
    for (i = 0; i < RFM_N; i++) a[i] *= -1024;
    CHECK(invman_kernel_agop(NULL, &q.train, &o, M, a, other) == INVMAN_OK);
    for (i = 0; i < D * D; i++) CHECK(other[i] == 1048576 * agop[i]);
    for (i = 0; i < RFM_N; i++) a[i] /= -1024;
    { /* the whole of it: rotated data, and labels of the other sign */
      double N[D * D], b[RFM_N], c[RFM_N];
      CHECK(invman_rfm_train(NULL, &q.train, &o, agop, b, NULL) == INVMAN_OK);
      CHECK(invman_rfm_train(NULL, &r.train, &o, other, c, NULL) == INVMAN_OK);
      rfm_turn(agop, Q, D, wanted);
      CLOSE(largest_difference(other, wanted, D * D), 0, 1e-7);
      for (i = 0; i < RFM_N; i++) q.train.y[i] *= -1;
      CHECK(invman_rfm_train(NULL, &q.train, &o, N, c, NULL) == INVMAN_OK);
      CHECK(same_bits(agop, N, D * D));
      for (i = 0; i < RFM_N; i++) {
        CHECK(b[i] == -c[i]);
        q.train.y[i] *= -1;
      }
    }
  }
  free_problem(&q), free_problem(&r);
  free(a);
}

static void rfm_predicts(void) { /* F is a sum of kernels as they are defined */
  double M[RFM_D * RFM_D], F[8], *a = normals(RFM_N, 2), K[RFM_N];
  test_problem q = make_problem(INVMAN_STRIPE, RFM_D, RFM_N, 4, 1);
  size_t i, j, k, l;
  int kind;
  memset(M, 0, sizeof M);
  for (i = 0; i < RFM_D; i++) M[i * (RFM_D + 1)] = 0.25 * (double)((i + 1) * (i + 1));
  for (kind = 0; kind < RFM_KINDS; kind++) {
    invman_rfm_options o = rfm_options(kind);
    o.bandwidth = 1.5;
    CHECK(invman_rfm_predict(NULL, &q.train, &o, M, a, q.test.x, 8, F) == INVMAN_OK);
    for (i = 0; i < 8; i++) {
      double sum = 0, size = 0;
      for (j = 0; j < RFM_N; j++) {
        double u[RFM_D], v[RFM_D], square = 0;
        for (k = 0; k < RFM_D; k++) {
          u[k] = 0.5 * (double)(k + 1) * q.test.x[i * RFM_D + k];
          v[k] = 0.5 * (double)(k + 1) * q.train.x[j * RFM_D + k];
          square += (u[k] - v[k]) * (u[k] - v[k]);
        }
        K[j] = kind == 4 ? exp(-sqrt(square) / 1.5) : exp(-square / 4.5);
        if (kind < 4)
          CHECK(invman_ntk_gram_deep(NULL, RFM_D, o.layers, INVMAN_NTK_ALL, u, 1, v, 1, &K[j]) == INVMAN_OK);
        sum += a[j] * K[j];
        size += fabs(a[j] * K[j]);
      }
      CLOSE(F[i], sum, 1e-14 * size);
    }
    for (l = 1; kind == 4 && l < 3; l++) { /* median distance: of all points, and of every second one */
      test_problem many = make_problem(INVMAN_STRIPE, RFM_D, 512 * l, 4, 2);
      double *D = (double *)malloc(512 * 512 * sizeof(double)),
             *distance = (double *)malloc(512 * 512 * sizeof(double));
      double *b = normals(512 * l, 3), G[8];
      size_t count = 0;
      for (i = 0; i < 512; i++) memmove(D + i * RFM_D, many.train.x + l * i * RFM_D, RFM_D * sizeof(double));
      for (i = 0; i < 512; i++)
        for (j = 0; j < i; j++) {
          double square = 0;
          for (k = 0; k < RFM_D; k++) square += pow(D[i * RFM_D + k] - D[j * RFM_D + k], 2);
          distance[count++] = sqrt(square);
        }
      o.bandwidth = 0;
      CHECK(invman_rfm_predict(NULL, &many.train, &o, M, b, q.test.x, 8, F) == INVMAN_OK);
      o.bandwidth = median(distance, count);
      CHECK(invman_rfm_predict(NULL, &many.train, &o, M, b, q.test.x, 8, G) == INVMAN_OK);
      CLOSE(largest_difference(F, G, 8), 0, 1e-12 * (double)(512 * l));
      free_problem(&many);
      free(D), free(distance), free(b);
    }
  }
  free_problem(&q);
  free(a);
}

/* ---- invman_rfm_train */

typedef struct rfm_seen {
  size_t calls, stop, d;
  double M[RFM_D * RFM_D], error[8], lambda[8];
} rfm_seen;

static int rfm_report(const invman_rfm_info *info, const double *M, void *user) {
  rfm_seen *seen = (rfm_seen *)user;
  double trace = 0, A[RFM_D * RFM_D], lambda[RFM_D];
  size_t d = RFM_D, i, j;
  CHECK(info->round == seen->calls && info->round < 8);
  CHECK(info->status == INVMAN_OK && info->flow.status == INVMAN_OK && info->train_error == 0);
  for (i = 0; i < d; i++) {
    trace += M[i * d + i];
    for (j = 0; j < d; j++) CHECK(M[i * d + j] == M[j * d + i]);
    for (j = 0; j < d && info->round == 0; j++) CHECK(M[i * d + j] == (i == j));
  }
  CLOSE(trace, (double)d, 1e-14 * (double)d);
  memcpy(A, M, sizeof A);
  CHECK(invman_eigh(NULL, d, A, lambda) == INVMAN_OK && lambda[d - 1] > -1e-14 * lambda[0]);
  CLOSE(info->lambda, sqrt((double)(d - 1) * M[0] / (trace - M[0])), 1e-10 * info->lambda);
  seen->error[info->round] = info->test_error;
  seen->lambda[info->round] = info->lambda;
  memcpy(seen->M, M, sizeof seen->M);
  return ++seen->calls == seen->stop;
}

static void rfm_learns(void) { /* rounds, reports, what M is like; the outputs belong together */
  enum { N = 150 };
  double M[RFM_D * RFM_D], agop[RFM_D * RFM_D], a[N], *F = (double *)malloc(1000 * sizeof(double));
  test_problem q = make_problem(INVMAN_STRIPE, RFM_D, N, 4, 1);
  invman_rfm_info info;
  size_t i;
  int kind, diagonal;
  for (kind = 0; kind < RFM_KINDS; kind++)
    for (diagonal = 0; diagonal < 2; diagonal++) {
      invman_rfm_options o = rfm_options(kind);
      rfm_seen seen;
      double trace = 0;
      memset(&seen, 0, sizeof seen);
      o.diagonal = diagonal;
      o.test = &q.test;
      o.report = rfm_report;
      o.user = &seen;
      CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_OK);
      CHECK(seen.calls == 4 && info.round == 3 && info.status == INVMAN_OK && same_bits(M, seen.M, RFM_D * RFM_D));
      CHECK(info.lambda > 4 * seen.lambda[0] && info.test_error < 0.6 * seen.error[0] && seen.lambda[0] == 1);
      for (i = 0; i < RFM_D * RFM_D; i++) CHECK(!diagonal || i % (RFM_D + 1) == 0 || M[i] == 0);
      CHECK(invman_rfm_predict(NULL, &q.train, &o, M, a, q.test.x, q.test.n, F) == INVMAN_OK);
      CHECK(info.test_error == invman_i_share_wrong(q.test.y, F, q.test.n));
      CHECK(invman_rfm_predict(NULL, &q.train, &o, M, a, q.train.x, N, F) == INVMAN_OK);
      for (i = 0; i < N; i++) CHECK(q.train.y[i] * F[i] > 1 - 1e-8);
      memset(&seen, 0, sizeof seen); /* stopped after two updates: the third is the one of these */
      seen.stop = 3;
      CHECK(invman_rfm_train(NULL, &q.train, &o, agop, a, &info) == INVMAN_STOPPED);
      CHECK(seen.calls == 3 && info.round == 2 && info.status == INVMAN_STOPPED && info.flow.status == INVMAN_OK);
      CHECK(same_bits(agop, seen.M, RFM_D * RFM_D));
      CHECK(invman_kernel_agop(NULL, &q.train, &o, seen.M, a, agop) == INVMAN_OK);
      for (i = 0; i < RFM_D; i++) trace += agop[i * (RFM_D + 1)];
      for (i = 0; i < RFM_D * RFM_D; i++) CLOSE(agop[i] * RFM_D / trace, M[i], 1e-12 * RFM_D);
    }
  free_problem(&q);
  free(F);
}

static void rfm_ends_early(void) { /* where an update changes nothing; and where F does not vary */
  test_problem q = make_problem(INVMAN_STRIPE, 1, 30, 4, 1);
  invman_rfm_options o = rfm_options(0);
  invman_rfm_info info;
  double M[4], a[30];
  o.rounds = 5;
  CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_OK);
  CHECK(info.round == 0 && M[0] == 1 && info.lambda == 0 && info.test_error == -1 && info.train_error == 0);
  q.train.n = 1;
  CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_OK && info.round == 0 && M[0] == 1 && a[0] != 0);
  free_problem(&q);
  q = make_problem(INVMAN_STRIPE, 2, 30, 4, 1); /* a second coordinate that is always 0 */
  for (o.rounds = 0; o.rounds < 30; o.rounds++) q.train.x[2 * o.rounds + 1] = 0;
  o.rounds = 40;
  CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_OK);
  CHECK(info.round == 1 && M[0] == 2 && M[1] == 0 && M[3] == 0 && info.lambda == HUGE_VAL);
  q.train.x[2] = q.train.x[0], q.train.x[3] = q.train.x[1], q.train.y[0] = 1, q.train.y[1] = -1;
  CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_NOT_SEPARABLE); /* goes on all the same */
  CHECK(info.round == 1 && info.status == INVMAN_NOT_SEPARABLE && info.train_error > 0);
  free_problem(&q);
}

static int rfm_patience(const char *stage, double done, void *user) {
  (void)stage, (void)done;
  return ++*(size_t *)user > 10;
}

static void rfm_any_threads(void) { /* and by columns, and stopped on the way */
  enum { N = 450 };
  double M[2][RFM_D * RFM_D], *a[2], *F[2];
  test_problem q = make_problem(INVMAN_STRIPE, RFM_D, N, 4, 1);
  invman_rfm_info info;
  size_t i;
  int kind, bits;
  for (i = 0; i < 2; i++) a[i] = (double *)malloc(N * sizeof(double)), F[i] = (double *)malloc(1000 * sizeof(double));
  for (kind = 0; kind < RFM_KINDS; kind += 2 + kind / 2) {
    invman_rfm_options o = rfm_options(kind);
    size_t tasks = 0;
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    o.rounds = 1;
    CHECK(invman_rfm_train(NULL, &q.train, &o, M[0], a[0], NULL) == INVMAN_OK);
    CHECK(invman_rfm_predict(NULL, &q.train, &o, M[0], a[0], q.test.x, 1000, F[0]) == INVMAN_OK);
    ctx.parallel_for = backwards;
    ctx.user = &tasks;
    CHECK(invman_rfm_train(&ctx, &q.train, &o, M[1], a[1], NULL) == INVMAN_OK && tasks > 1);
    CHECK(same_bits(M[0], M[1], RFM_D * RFM_D) && same_bits(a[0], a[1], N));
    CHECK(invman_rfm_predict(&ctx, &q.train, &o, M[0], a[0], q.test.x, 1000, F[1]) == INVMAN_OK);
    CHECK(same_bits(F[0], F[1], 1000));
    CHECK(invman_i_rfm_run(NULL, &q.train, &o, N - 1, M[1], a[1], &info) == INVMAN_OK); /* K is not kept */
    CLOSE(largest_difference(M[0], M[1], RFM_D * RFM_D), 0, 1e-8);
    for (bits = 128; bits <= widest_bits(); bits *= 2) {
      memset(&ctx, 0, sizeof ctx);
      ctx.vector_bits = bits;
      CHECK(invman_rfm_train(&ctx, &q.train, &o, M[1], a[1], NULL) == INVMAN_OK);
      CLOSE(largest_difference(M[0], M[1], RFM_D * RFM_D), 0, 1e-8);
    }
    ctx.progress = rfm_patience;
    ctx.user = &tasks;
    tasks = 0;
    CHECK(invman_rfm_train(&ctx, &q.train, &o, M[1], a[1], &info) == INVMAN_STOPPED);
    CHECK(info.status == INVMAN_STOPPED && info.round == 0 && M[1][0] == 1 && a[1][0] != 0);
  }
  free_problem(&q);
  for (i = 0; i < 2; i++) free(a[i]), free(F[i]);
}

static void rfm_sizes(void) { /* of coordinates, and their number */
  static const size_t shapes[][2] = {{1, 1}, {2, 1}, {3, 70}, {12, 150}, {400, 9}};
  static const double scales[] = {1e-8, 1, 1e8};
  size_t s, i, t;
  int kind;
  for (s = 0; s < 5; s++)
    for (t = 0; t < 3; t++)
      for (kind = 0; kind < RFM_KINDS; kind += 2) {
        size_t n = shapes[s][0], d = shapes[s][1];
        double *M = (double *)malloc(2 * d * d * sizeof(double)), *a = normals(n, 1), *x = normals(n * d, 2), F[3];
        invman_rfm_options o = rfm_options(kind);
        invman_data train;
        o.bandwidth = scales[t];
        train.n = n, train.d = d, train.x = x, train.y = NULL;
        for (i = 0; i < n * d; i++) x[i] *= scales[t];
        rfm_metric(d, 3, 1, M);
        CHECK(invman_kernel_agop(NULL, &train, &o, M, a, M + d * d) == INVMAN_OK);
        CHECK(n == 1 || invman_i_largest(M + d * d, d * d) > 0);
        CHECK(invman_rfm_predict(NULL, &train, &o, M, a, x, n < 3 ? n : 3, F) == INVMAN_OK);
        free(M), free(a), free(x);
      }
}

/* The figures of the paper's stripe: medians of seven seeds. */
static void rfm_stripe(void) {
  enum { SEEDS = 7, P = 512, D = 5 };
  double error[SEEDS], lambda[SEEDS], M[D * D], *a = (double *)malloc(P * sizeof(double));
  size_t seed;
  for (seed = 0; seed < SEEDS; seed++) {
    test_problem q = make_problem(INVMAN_STRIPE, D, P, 1, seed + 1);
    invman_data_model model = a_model(INVMAN_STRIPE, D);
    invman_rfm_options o = rfm_options(0);
    invman_rfm_info info;
    invman_data test;
    invman_rng rng;
    invman_rng_seed(&rng, seed + 1, INVMAN_STREAM_TEST);
    CHECK(invman_data_sample(NULL, &model, 5000, &rng, &test) == INVMAN_OK);
    o.test = &test;
    CHECK(invman_rfm_train(NULL, &q.train, &o, M, a, &info) == INVMAN_OK);
    error[seed] = info.test_error;
    lambda[seed] = info.lambda;
    invman_data_free(NULL, &test);
    free_problem(&q);
  }
  CHECK(median(error, SEEDS) <= 0.009);
  CHECK(median(lambda, SEEDS) >= 60);
  free(a);
}

static void rfm_bad_input(void) {
  enum { D = RFM_D };
  test_problem q = make_problem(INVMAN_STRIPE, D, RFM_N, 4, 1);
  double M[D * D], N[D * D], a[RFM_N], F[4], *b = normals(RFM_N, 2);
  invman_data train = q.train, other = q.test;
  invman_rfm_options o = rfm_options(0);
  invman_rfm_info info;
  invman_error error;
  invman_context ctx;
  size_t i;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  rfm_metric(D, 6, 5, M);
  REFUSES(3, invman_rfm_train(NULL, PTR(0, &train), NULL, PTR(1, N), PTR(2, a), NULL));
  REFUSES(5, invman_rfm_predict(NULL, PTR(0, &train), NULL, PTR(1, M), PTR(2, b), PTR(3, train.x), 4, PTR(4, F)));
  REFUSES(4, invman_kernel_agop(NULL, PTR(0, &train), NULL, PTR(1, M), PTR(2, b), PTR(3, N)));
  CHECK(invman_rfm_predict(&ctx, &train, NULL, M, b, train.x, 0, F) == INVMAN_OK);
#define RFM_REFUSES(wanted)                                                            \
  do {                                                                                 \
    N[0] = a[0] = F[0] = 7;                                                            \
    info.round = 9;                                                                    \
    CHECK(invman_rfm_train(&ctx, &train, &o, N, a, &info) == (wanted));                \
    CHECK(info.round == 0 && (N[0] == 7 || N[0] == 0) && (a[0] == 7 || a[0] == 0));    \
    CHECK(invman_rfm_predict(&ctx, &train, &o, M, b, train.x, 2, F) == (wanted));      \
    CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == (wanted));                  \
    CHECK((F[0] == 7 || F[0] == 0) && (N[0] == 7 || N[0] == 0) && error.what[0] != 0); \
  } while (0)
  o.kernel = 3;
  RFM_REFUSES(INVMAN_E_ARG);
  o = rfm_options(4);
  o.bandwidth = -1;
  RFM_REFUSES(INVMAN_E_ARG);
  o.bandwidth = (double)NAN;
  RFM_REFUSES(INVMAN_E_ARG);
  o.bandwidth = HUGE_VAL;
  RFM_REFUSES(INVMAN_E_ARG);
  o = rfm_options(0);
  o.d_par = D + 1;
  RFM_REFUSES(INVMAN_E_ARG);
  o.d_par = 0;
  train.n = 0;
  RFM_REFUSES(INVMAN_E_ARG);
  train.n = RFM_N, train.d = 0;
  RFM_REFUSES(INVMAN_E_ARG);
  train.d = D, train.x = NULL;
  RFM_REFUSES(INVMAN_E_ARG);
  train.x = q.train.x, train.x[9] = HUGE_VAL;
  RFM_REFUSES(INVMAN_E_NONFINITE);
  CHECK(error.place == 9);
  train.x[9] = 1e200;
  RFM_REFUSES(INVMAN_E_NONFINITE);
  train.x[9] = 1;
  o.kernel = INVMAN_RFM_GAUSS; /* all points are equal: no distance to be a bandwidth */
  for (i = 0; i < RFM_N * D; i++) train.x[i] = 1;
  RFM_REFUSES(INVMAN_E_ARG);
  o.bandwidth = 1; /* but one that is given will do */
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_OK && N[0] == 0);
  CHECK(invman_rfm_train(&ctx, &train, &o, N, a, &info) == INVMAN_NOT_SEPARABLE && info.round == 0 && N[0] == 1);
  free_problem(&q);
  q = make_problem(INVMAN_STRIPE, D, RFM_N, 4, 1);
  train = q.train, other = q.test;
  o = rfm_options(0);
  o.test = &other;
  other.d = D - 1;
  CHECK(invman_rfm_train(&ctx, &train, &o, N, a, &info) == INVMAN_E_ARG);
  other.d = D, other.y = NULL;
  CHECK(invman_rfm_train(&ctx, &train, &o, N, a, &info) == INVMAN_E_ARG);
  o.test = NULL;
  train.y[3] = 0.5;
  CHECK(invman_rfm_train(&ctx, &train, &o, N, a, &info) == INVMAN_E_ARG && error.place == 3);
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_OK); /* which does not read it */
  b[5] = (double)NAN;
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_E_NONFINITE && error.place == 5);
  CHECK(invman_rfm_predict(&ctx, &train, &o, M, b, train.x, 2, F) == INVMAN_E_NONFINITE && error.place == 5);
  b[5] = 1e300;
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_E_NONFINITE && N[0] == 0);
  b[5] = 1;
  M[2] += 0.1; /* no longer symmetric */
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_E_ARG && error.place == 2);
  M[2 * D] += 0.1;
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_OK);
  M[0] = -1; /* or not positive */
  CHECK(invman_kernel_agop(&ctx, &train, &o, M, b, N) == INVMAN_E_ARG);
  CHECK(invman_rfm_predict(&ctx, &train, &o, M, b, train.x, 2, F) == INVMAN_E_ARG);
  M[0] = HUGE_VAL;
  CHECK(invman_rfm_predict(&ctx, &train, &o, M, b, train.x, 2, F) == INVMAN_E_NONFINITE && error.place == 0);
  free_problem(&q);
  free(b);
}

static void rfm_tests(void) {
  RUN(deep_golden);
  RUN(deep_one_layer);
  RUN(deep_diagonal);
  RUN(deep_is_the_limit);
  RUN(deep_shapes);
  RUN(deep_bad_input);
  RUN(rfm_agop_by_differences);
  RUN(rfm_invariances);
  RUN(rfm_predicts);
  RUN(rfm_learns);
  RUN(rfm_ends_early);
  RUN(rfm_any_threads);
  RUN(rfm_sizes);
  RUN(rfm_stripe);
  RUN(rfm_bad_input);
}
