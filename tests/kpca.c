/* Measures: golden values, plain references, closed forms, symmetries, statistics, bad input, memory. */

static double two_entropy(double q) { return q > 0 && q < 1 ? -(q * log(q) + (1 - q) * log(1 - q)) / log(2.0) : 0; }

static double positive_share(const double *y, size_t n) {
  size_t i, plus = 0;
  for (i = 0; i < n; i++) plus += y[i] > 0;
  return (double)plus / (double)n;
}

static size_t different(const double *v, size_t dim, size_t n) {
  size_t i, j, count = 0;
  for (i = 0; i < n; i++) {
    for (j = 0; j < i && memcmp(v + i * dim, v + j * dim, dim * sizeof *v);) j++;
    count += j == i;
  }
  return count;
}

/* Appendix D with the labels' own entropy: all distances to each class, sorted; as many neighbours as tie with the k-th;
   the shares of the labels where k of a class are at distance 0, or values are few; 1 for the entropy elsewhere if the
   shares are as of fair draws. */
static double plain_information(const double *v, size_t dim, const double *y, size_t n, size_t k, int count_self) {
  double *far = (double *)malloc(n * sizeof(double)), sum = 0, share = positive_share(y, n);
  size_t i, j, c, l;
  int balanced = fabs(2 * share - 1) * sqrt((double)n) <= 1 + 1e-9, few = different(v, dim, n) <= n / (2 * k);
  for (i = 0; i < n; i++) {
    double r[2], count[2], here[2], q;
    for (c = 0; c < 2; c++) {
      size_t m = 0;
      here[c] = count[c] = 0;
      for (j = 0; j < n; j++) {
        double square = 0;
        if (y[j] != (c ? -1 : 1)) continue;
        for (l = 0; l < dim; l++) square += (v[i * dim + l] - v[j * dim + l]) * (v[i * dim + l] - v[j * dim + l]);
        here[c] += square == 0;
        if (j != i || count_self) far[m++] = sqrt(square);
      }
      qsort(far, m, sizeof(double), by_value);
      r[c] = far[k - 1];
      for (j = 0; j < m; j++) count[c] += far[j] <= r[c] * (1 + 1e-9);
    }
    q = !few && r[0] > 0 && r[1] > 0 ? 1 / (1 + count[1] / count[0] * pow(r[0] / r[1], (double)dim))
                                     : here[0] / (here[0] + here[1]);
    sum += (balanced && !few && r[0] > 0 && r[1] > 0 ? 1 : two_entropy(share)) - two_entropy(q);
  }
  free(far);
  return fmax(0, fmin(sum / (double)n, two_entropy(share)));
}

static double information(const double *v, size_t dim, const double *y, size_t n, size_t k, int count_self) {
  invman_mi_options o;
  double bits = -7;
  memset(&o, 0, sizeof o);
  o.k = k;
  o.count_self = count_self;
  CHECK(invman_mutual_information(NULL, v, dim, y, n, &o, &bits) == INVMAN_OK);
  return bits;
}

static void alternate(double *y, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) y[i] = i % 2 ? -1 : 1;
}

static void kpca_information_golden(void) {
  const char *path = GOLDEN "mutual_information.txt";
  double *v = golden(path, "v", 1600), *y = golden(path, "y", 400), bits;
  double *self = golden(path, "count_self", 4), *out = golden(path, "leave_one_out", 4);
  size_t i;
  for (i = 0; i < 4; i++) {
    CLOSE(information(v + 400 * i, 1, y, 400, 5, 1), self[i], 1e-8);
    CLOSE(information(v + 400 * i, 1, y, 400, 5, 0), out[i], 1e-8);
    CHECK(invman_mutual_information(NULL, v + 400 * i, 1, y, 400, NULL, &bits) == INVMAN_OK); /* the defaults */
    CHECK(bits == information(v + 400 * i, 1, y, 400, 5, 0));
  }
  free(v), free(y), free(self), free(out);
}

static void kpca_information_is_the_plain_one(void) { /* with ties: every other case holds small integers */
  size_t trial, i;
  invman_rng rng;
  invman_rng_seed(&rng, 1, 1);
  for (trial = 0; trial < 600; trial++) {
    size_t dim = 1 + trial / 2 % 4, k = 1 + invman_i_below(&rng, 7), n = 2 * k + 2 + invman_i_below(&rng, 60);
    double v[4 * 80], y[80], bits;
    int self = (int)(trial / 8 % 2), constant = trial % 50 == 1;
    for (i = 0; i < n * dim; i++) {
      v[i] = trial % 2 ? floor(3 * invman_rng_normal(&rng)) : invman_rng_normal(&rng);
      if (constant) v[i] = 0.3;
    }
    for (i = 0; i < n; i++) y[i] = i <= k ? 1 : i <= 2 * k + 1 ? -1 : invman_rng_uniform(&rng) < 0.6 ? -1 : 1;
    bits = information(v, dim, y, n, k, self);
    CLOSE(bits, plain_information(v, dim, y, n, k, self), 1e-13);
    for (i = 0; i < n; i++) y[i] = -y[i];
    CHECK(information(v, dim, y, n, k, self) == bits);
  }
}

static void kpca_information_of_many(void) { /* more points than tasks have at least, and many neighbours */
  enum { N = 1200 };
  double *v = normals(2 * N, 10), y[N];
  size_t i;
  for (i = 0; i < N; i++) y[i] = v[2 * i] > 0.4 ? 1 : -1;
  CLOSE(information(v, 2, y, N, 300, 0), plain_information(v, 2, y, N, 300, 0), 1e-12);
  CLOSE(information(v, 1, y, N, 300, 1), plain_information(v, 1, y, N, 300, 1), 1e-12);
  free(v);
}

static void kpca_information_closed_forms(void) {
  static const double line[4] = {0, 1, 3, 4}, line_y[4] = {1, 1, -1, -1};
  /* a rectangle of sides 1 (within a class) and 2 (between the classes), with two more zero coordinates */
  static const double corners[16] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 1, 2, 0, 0};
  double v[40], y[40], flat[12];
  size_t i, dim, j;
  alternate(y, 40);
  for (i = 0; i < 40; i++) v[i] = y[i];
  CHECK(information(v, 1, y, 40, 5, 0) == 1 && information(v, 1, y, 40, 19, 1) == 1);
  CHECK(information(v, 2, y, 20, 5, 0) == 0); /* every point the same pair (1, -1), whatever its label */
  for (i = 0; i < 40; i++) v[i] = 0.1;
  CHECK(information(v, 1, y, 40, 5, 0) == 0 && information(v, 1, y, 40, 5, 1) == 0);

  /* At 0: r = 1 and 3, q = 1/(1 + 1/3); at 1: r = 1 and 2; the others by symmetry. A point that counts as its own
     nearest is certain. */
  CLOSE(information(line, 1, line_y, 4, 1, 0), 1 - 0.5 * (two_entropy(1 / 4.0) + two_entropy(1 / 3.0)), 1e-15);
  CHECK(information(line, 1, line_y, 4, 1, 1) == 1);

  for (dim = 2; dim <= 3; dim++) { /* padding leaves r but raises the power: q = 1/(1 + 2^-dim) */
    for (i = 0; i < 4; i++)
      for (j = 0; j < dim; j++) flat[i * dim + j] = corners[4 * i + j];
    CLOSE(information(flat, dim, line_y, 4, 1, 0), 1 - two_entropy(1 / (1 + pow(2, (double)dim))), 1e-15);
  }
}

static void kpca_information_invariances(void) {
  enum { N = 300 };
  double *v = normals(3 * N, 2), w[3 * N], y[N], z[N], c = cos(0.7), s = sin(0.7);
  size_t dim, i, j, order[N];
  invman_rng rng;
  invman_rng_seed(&rng, 3, 1);
  for (i = 0; i < N; i++) y[i] = v[i] + 0.5 * invman_rng_normal(&rng) > 0.2 ? 1 : -1, order[i] = i;
  for (i = N; i > 1; i--) {
    size_t swap = order[i - 1];
    j = invman_i_below(&rng, i);
    order[i - 1] = order[j];
    order[j] = swap;
  }
  for (dim = 1; dim <= 3; dim += 2) {
    double bits = information(v, dim, y, N, 5, 0);
    CHECK(bits > 0.03 && bits < 0.97);
    for (i = 0; i < N; i++) z[i] = -y[i];
    CHECK(information(v, dim, z, N, 5, 0) == bits);
    for (i = 0; i < N; i++) {
      z[i] = y[order[i]];
      for (j = 0; j < dim; j++) w[i * dim + j] = v[order[i] * dim + j];
    }
    CLOSE(information(w, dim, z, N, 5, 0), bits, dim == 1 ? 0 : 1e-14);
    for (i = 0; i < N * dim; i++) w[i] = ldexp(v[i], 1015); /* near the largest double */
    CHECK(information(w, dim, y, N, 5, 0) == bits);
    for (i = 0; i < N * dim; i++) w[i] = ldexp(v[i], -960);
    CHECK(information(w, dim, y, N, 5, 0) == bits);
    for (i = 0; i < N * dim; i++) w[i] = -3.7 * v[i] + 11;
    CLOSE(information(w, dim, y, N, 5, 0), bits, 1e-11);
  }
  for (i = 0; i < N; i++) { /* a rotation of two coordinates */
    w[2 * i] = c * v[2 * i] - s * v[2 * i + 1];
    w[2 * i + 1] = s * v[2 * i] + c * v[2 * i + 1];
  }
  CLOSE(information(w, 2, y, N, 5, 0), information(v, 2, y, N, 5, 0), 1e-12);
  for (i = 0; i < N; i++) w[i] = i % 3 == 0 ? DBL_MAX : i % 3 == 1 ? -DBL_MAX : 5e-324; /* never NaN */
  CLOSE(information(w, 1, y, N, 5, 0), 0, 0.5);
  CLOSE(information(w, 3, y, N / 3, 5, 1), 0, 0.5);
  free(v);
}

/* H(y) - H(y|v) of the counts: what v (n) of few values, 0 .. values - 1, knows exactly. */
static double counted_information(const double *v, const double *y, size_t n, size_t values) {
  double count[2][8], bits = two_entropy(positive_share(y, n));
  size_t i;
  memset(count, 0, sizeof count);
  for (i = 0; i < n; i++) count[y[i] > 0][(size_t)v[i]]++;
  for (i = 0; i < values; i++) {
    double all = count[0][i] + count[1][i];
    if (all > 0) bits -= all / (double)n * two_entropy(count[1][i] / all);
  }
  return bits;
}

static void kpca_information_of_few_values(void) {
  /* Of any share of positives: the plug-in estimate, in any number of
     dimensions, in any order, at any place and scale. */
  enum { N = 240, TRIALS = 300 };
  invman_rng rng;
  size_t trial, i, j, order[N];
  invman_rng_seed(&rng, 21, 1);
  for (trial = 0; trial < TRIALS; trial++) {
    size_t values = 2 + trial % 4, k = 1 + invman_i_below(&rng, 8), dim = 1 + trial / 4 % 3;
    double share = 0.01 + 0.98 * (double)(trial % 99) / 98, place[8][3], v[N], w[3 * N], y[N], z[N], sure, wanted, bits;
    int self = (int)(trial / 12 % 2);
    sure = invman_rng_uniform(&rng);
    for (i = 0; i < 8; i++)
      for (j = 0; j < 3; j++) place[i][j] = 1e3 * invman_rng_normal(&rng);
    for (i = 0; i < N; i++) {
      y[i] = i <= k ? 1 : i <= 2 * k + 1 ? -1 : invman_rng_uniform(&rng) < share ? 1 : -1;
      v[i] = (double)(invman_rng_uniform(&rng) < sure ? y[i] > 0 : (int)invman_i_below(&rng, values));
      order[i] = i;
      for (j = 0; j < dim; j++) w[i * dim + j] = place[(size_t)v[i]][j];
    }
    wanted = counted_information(v, y, N, values);
    bits = information(w, dim, y, N, k, self);
    CLOSE(bits, wanted, 1e-12);
    if (dim == 1) CLOSE(information(v, 1, y, N, k, self), wanted, 1e-12);
    for (i = 0; i < N; i++) z[i] = -y[i];
    CHECK(information(w, dim, z, N, k, self) == bits);
    for (i = N; i > 1; i--) {
      size_t swap = order[i - 1];
      j = invman_i_below(&rng, i);
      order[i - 1] = order[j], order[j] = swap;
    }
    for (i = 0; i < N; i++) {
      z[i] = y[order[i]];
      for (j = 0; j < dim; j++) w[i * dim + j] = place[(size_t)v[order[i]]][j];
    }
    CLOSE(information(w, dim, z, N, k, self), bits, 1e-12);
  }
}

static void kpca_information_of_shares(void) { /* a feature that says nothing, and one that says all */
  enum { N = 600, TRIALS = 99 };
  invman_rng rng;
  size_t trial, i, dim;
  double *noise = normals(3 * N, 22), v[3 * N], y[N], mean, deviation, bits, worst = 0;
  invman_rng_seed(&rng, 23, 1);
  for (trial = 0; trial < TRIALS; trial++) {
    double entropy;
    for (i = 0; i < N; i++) y[i] = (double)i < 0.01 * (double)(trial + 1) * N ? 1 : -1;
    invman_i_shuffle(y, N, &rng);
    entropy = two_entropy(positive_share(y, N));
    for (i = 0; i < N; i++) v[i] = 1e3 * y[i] + noise[i];
    CLOSE(information(v, 1, y, N, 5, 0), entropy, 0.001); /* the other class is not infinitely far */
    for (i = 0; i < N; i++) v[i] = y[i];
    CLOSE(information(v, 1, y, N, 5, 0), entropy, 1e-13);
    dim = trial % 16 == 0 ? 3 : 1;
    bits = information(noise, dim, y, N, 5, 0);
    CHECK(invman_mutual_information_null(NULL, noise, dim, y, N, NULL, 8, &rng, &mean, &deviation) == INVMAN_OK);
    CHECK(mean >= 0 && mean < 0.1 && mean <= 0.2 * entropy);
    worst = fmax(worst, fabs(bits - mean) / fmax(deviation, 0.003));
  }
  CHECK(worst < 10); /* of a deviation of eight draws */
  free(noise);
}

/* Of two normal classes of deviation 1 and s at distance d: H(y) - the integral of p(x) h_2(q(x)), by the midpoints. */
static double normal_information(double share, double d, double s) {
  double x, step = 0.002, lost = 0;
  for (x = -30; x < 30 + d; x += step) {
    double a = share * exp(-0.5 * x * x), b = (1 - share) * exp(-0.5 * (x - d) * (x - d) / (s * s)) / s;
    if (a + b > 0) lost += (a + b) / sqrt(2 * 3.14159265358979323846) * two_entropy(a / (a + b)) * step;
  }
  return two_entropy(share) - lost;
}

static void kpca_information_of_normals(void) {
  /* The truth, up to the bias of k = 5, of which little is left where v has steps. */
  enum { N = 4000, K = 5 };
  static const double shares[5] = {0.03, 0.1, 0.3, 0.5, 0.9}, far[3] = {0.5, 1.5, 4}, scale[2] = {1, 2};
  double v[N], y[N];
  invman_rng rng;
  size_t a, b, c, i;
  invman_rng_seed(&rng, 24, 1);
  for (a = 0; a < 5; a++)
    for (b = 0; b < 3; b++)
      for (c = 0; c < 2; c++) {
        double wanted;
        for (i = 0; i < N; i++) {
          y[i] = (double)i < shares[a] * N ? 1 : -1;
          v[i] = invman_rng_normal(&rng);
          if (y[i] < 0) v[i] = far[b] + scale[c] * v[i];
        }
        wanted = normal_information(shares[a], far[b], scale[c]);
        CLOSE(information(v, 1, y, N, K, 0), wanted, a == 2 || a == 3 ? 0.075 : 0.035);
        for (i = 0; i < N; i++) v[i] = floor(8 * v[i]) / 8; /* in steps, of which many are nobody's own */
        CLOSE(information(v, 1, y, N, K, 0), wanted, a == 2 || a == 3 ? 0.055 : 0.035);
      }
}

static void kpca_information_of_every_size(
    void) { /* a coordinate or a point of 1e200 or 1e-200 leaves the others theirs */
  enum { N = 300, DIM = 3 };
  static const double sizes[] = {1e200, -1e200, 1e-200, 1e300, 5e-324, 1e308};
  double *noise = normals(DIM * N, 25), v[DIM * N], w[DIM * N], y[N], z[N], bits[2];
  size_t s, i, j;
  for (i = 0; i < N; i++) y[i] = noise[DIM * i] > 0.5 ? 1 : -1, z[i] = noise[i] > 0.5 ? 1 : -1;
  bits[0] = information(noise, DIM, y, N, 5, 0), bits[1] = information(noise, 1, z, N, 5, 0);
  CHECK(bits[0] > 0.2 && bits[1] > 0.5);
  for (s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    memcpy(v, noise, sizeof v), memcpy(w, noise, sizeof w);
    v[3 * 17 + 1] = sizes[s]; /* one point */
    CLOSE(information(v, DIM, y, N, 5, 0), bits[0], 0.05);
    w[17] = sizes[s];
    CLOSE(information(w, 1, z, N, 5, 0), bits[1], 0.05);
    for (i = 0; i < N; i++) /* one coordinate, of all points the same */
      for (j = 0; j < DIM; j++)
        v[i * DIM + j] = j == 2 ? sizes[s] : noise[i * DIM + j], w[i * DIM + j] = j == 2 ? 0 : v[i * DIM + j];
    CLOSE(information(v, DIM, y, N, 5, 0), information(w, DIM, y, N, 5, 0), 1e-12);
    for (i = 0; i < N; i++)
      v[i * DIM + 2] = i == 17 ? sizes[s] : 1e-200 * noise[i * DIM + 2]; /* and too small to see */
    v[3 * 17] = v[3 * 17 + 1] = 0;
    CLOSE(information(v, DIM, y, N, 5, 0), information(w, DIM, y, N, 5, 0), 0.05);
  }
  free(noise);
}

static void kpca_same_bits_for_any_threads(void) {
  enum { N = 500, D = 3 };
  invman_context ctx;
  size_t calls = 0, i, j, dim;
  double *v = normals(D * N, 4), *K = (double *)malloc(N * N * sizeof(double)), y[N], one, two;
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = backwards;
  ctx.user = &calls;
  alternate(y, N);
  for (dim = 2; dim <= D; dim++) {
    calls = 0;
    CHECK(invman_mutual_information(NULL, v, dim, y, N, NULL, &one) == INVMAN_OK);
    CHECK(invman_mutual_information(&ctx, v, dim, y, N, NULL, &two) == INVMAN_OK && calls > 1 && one == two);
  }
  for (i = 0; i < N; i++)
    for (j = 0; j < N; j++) K[i * N + j] = invman_i_inner(v + i * D, v + j * D, D);
  calls = 0;
  CHECK(invman_intrinsic_dimension(NULL, K, N, &one, NULL) == INVMAN_OK);
  CHECK(invman_intrinsic_dimension(&ctx, K, N, &two, NULL) == INVMAN_OK && calls > 1 && one == two);
  free(v), free(K);
}

static void kpca_information_null(void) {
  enum { N = 4000, DRAWS = 100 };
  static const double wanted[2] = {0.0685, 0.0846}, scatter[2] = {0.2, 0.25}; /* k = 5, large n: scatter/sqrt(n) */
  double *v = normals(N, 5), *y = (double *)malloc(N * sizeof(double)), mean, deviation, again, sum, square, bits;
  invman_mi_options o;
  invman_rng rng, same;
  size_t i, j;
  memset(&o, 0, sizeof o);
  qsort(v, N, sizeof(double), by_value);
  for (i = 0; i < N; i++) y[i] = i < N / 2 ? 1 : -1; /* labels that tell all: permuted, they tell nothing */
  for (o.count_self = 0; o.count_self < 2; o.count_self++) {
    invman_rng_seed(&rng, 6, 1);
    CHECK(invman_mutual_information_null(NULL, v, 1, y, N, &o, DRAWS, &rng, &mean, &deviation) == INVMAN_OK);
    /* five standard deviations of the mean, and half the last digit of what is wanted */
    CLOSE(mean, wanted[o.count_self], 5 * deviation / sqrt((double)DRAWS) + 5e-5);
    CLOSE(deviation, scatter[o.count_self] / sqrt((double)N), 5 * deviation / sqrt(2.0 * DRAWS));
  }

  /* Draw by draw, in three dimensions; the caller's labels stay as they are. */
  for (i = 0; i < 60; i++) y[i] = i < 25 ? 1 : -1;
  invman_rng_seed(&rng, 7, 1);
  same = rng;
  o.count_self = 0;
  o.k = 3;
  CHECK(invman_mutual_information_null(NULL, v, 3, y, 60, &o, 4, &rng, &mean, &deviation) == INVMAN_OK);
  for (i = 0; i < 60; i++) CHECK(y[i] == (i < 25 ? 1 : -1));
  sum = square = 0;
  for (j = 0; j < 4; j++) {
    invman_i_shuffle(y, 60, &same);
    bits = plain_information(v, 3, y, 60, 3, 0);
    sum += bits;
    square += bits * bits;
  }
  CLOSE(mean, sum / 4, 1e-13);
  CLOSE(deviation, sqrt((square - sum * sum / 4) / 3), 1e-12);
  CHECK(memcmp(&rng, &same, sizeof rng) == 0);

  invman_rng_seed(&rng, 7, 1);
  CHECK(invman_mutual_information_null(NULL, v, 3, y, 60, &o, 1, &rng, NULL, &deviation) == INVMAN_OK &&
        deviation == 0);
  invman_rng_seed(&same, 7, 1);
  CHECK(invman_mutual_information_null(NULL, v, 3, y, 60, &o, 1, &same, &again, NULL) == INVMAN_OK && again >= 0);
  free(v), free(y);
}

static void kpca_shuffle_is_even(void) { /* 24 orders of 4, each 1000 times +- 5 standard deviations */
  size_t counts[256], i, seen = 0;
  invman_rng rng;
  memset(counts, 0, sizeof counts);
  invman_rng_seed(&rng, 8, 1);
  for (i = 0; i < 24000; i++) {
    double x[4] = {0, 1, 2, 3};
    invman_i_shuffle(x, 4, &rng);
    counts[(size_t)(x[0] + 4 * x[1] + 16 * x[2] + 64 * x[3])]++;
  }
  for (i = 0; i < 256; i++) {
    if (counts[i] == 0) continue;
    seen++;
    CLOSE((double)counts[i], 1000, 5 * sqrt(1000.0));
  }
  CHECK(seen == 24);
}

/* ---- intrinsic dimension */

static double *linear_gram(const double *x, size_t n, size_t d) {
  double *K = (double *)malloc(n * n * sizeof(double));
  size_t i, j;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) K[i * n + j] = invman_i_inner(x + i * d, x + j * d, d);
  return K;
}

static double dimension_of(const double *x, size_t n, size_t d) {
  double *K = linear_gram(x, n, d), value = -1, error = -1;
  CHECK(invman_intrinsic_dimension(NULL, K, n, &value, &error) == INVMAN_OK);
  CLOSE(error * sqrt((double)(n - invman_duplicates(K, n))), value, 1e-14 * value);
  free(K);
  return value;
}

static void kpca_dimension_golden(void) {
  const char *path = GOLDEN "spectrum.txt";
  double *K = golden(path, "K", 2500), *wanted = golden(path, "twonn", 1), value, error;
  CHECK(invman_intrinsic_dimension(NULL, K, 50, &value, &error) == INVMAN_OK);
  CLOSE(value, wanted[0], 1e-10 * wanted[0]);
  CLOSE(error, wanted[0] / sqrt(50.0), 1e-10 * wanted[0]);
  CHECK(invman_duplicates(K, 50) == 0);
  free(K), free(wanted);
}

static void kpca_dimension_of_gaussians(void) {
  static const size_t ds[3] = {1, 2, 5};
  enum { N = 400, SEEDS = 8 };
  size_t k, seed;
  for (k = 0; k < 3; k++) {
    double mean = 0, d = (double)ds[k];
    for (seed = 0; seed < SEEDS; seed++) {
      double *x = normals(N * ds[k], 20 + seed);
      mean += dimension_of(x, N, ds[k]) / SEEDS;
      free(x);
    }
    /* The standard deviation of ln mu is its mean: d/sqrt(n) for an estimate, up to 1.6 times that since neighbours
       share their distances. Four of these for the mean of the seeds, and 2 % for a density that is not even. */
    CLOSE(mean, d, d * (4 * 1.6 / sqrt((double)N * SEEDS) + 0.02));
  }
}

static void kpca_dimension_invariances(void) {
  enum { N = 120, D = 3 };
  double *x = normals(N * D, 30), z[N * (D + 1)], wanted = dimension_of(x, N, D), c = cos(0.4), s = sin(0.4);
  double *K, most = 0, value;
  int exponent;
  size_t i, j;
  for (i = 0; i < N; i++) {
    z[i * D] = c * x[i * D] - s * x[i * D + 1] + 2; /* rotated and translated */
    z[i * D + 1] = s * x[i * D] + c * x[i * D + 1] - 1;
    z[i * D + 2] = x[i * D + 2] + 0.5;
  }
  CLOSE(dimension_of(z, N, D), wanted, 1e-10 * wanted);
  K = linear_gram(x, N, D); /* scaled until the next power of two overflows */
  for (i = 0; i < N; i++)
    if (K[i * N + i] > most) most = K[i * N + i];
  frexp(most, &exponent);
  for (i = 0; i < N * N; i++) K[i] = ldexp(K[i], 1024 - exponent);
  CHECK(invman_intrinsic_dimension(NULL, K, N, &value, NULL) == INVMAN_OK);
  CLOSE(value, wanted, 1e-12 * wanted);
  CHECK(invman_duplicates(K, N) == 0);
  free(K);
  for (i = 0; i < N * D; i++) z[i] = ldexp(x[i], -400);
  CLOSE(dimension_of(z, N, D), wanted, 1e-12 * wanted);
  for (i = 0; i < N; i++)
    for (j = 0; j <= D; j++) z[i * (D + 1) + j] = j < D ? x[i * D + j] : 0;
  CLOSE(dimension_of(z, N, D + 1), wanted, 1e-10 * wanted);
  free(x);
}

static void kpca_dimension_closed_forms(void) {
  static const double line[3] = {0, 1, 3};
  double K[16], value, error;
  size_t i;
  /* mu = 3/1, 2/1, 3/2: sum of ln mu = ln 9 */
  CLOSE(dimension_of(line, 3, 1), 4 / log(9.0), 1e-14);
  for (i = 0; i < 16; i++) K[i] = i % 5 == 0; /* a simplex: r1 = r2 */
  CHECK(invman_intrinsic_dimension(NULL, K, 4, &value, &error) == INVMAN_OK);
  CHECK(value == HUGE_VAL && error == HUGE_VAL && invman_duplicates(K, 4) == 0);
  for (i = 0; i < 16; i++) K[i] = i % 5 == 0 ? DBL_MAX : i % 3 == 0 ? DBL_MAX : -DBL_MAX; /* no Gram matrix; no NaN */
  value = 0;
  if (invman_intrinsic_dimension(NULL, K, 4, &value, NULL) == INVMAN_OK) CHECK(value > 0);
}

static void kpca_duplicates(void) {
  enum { N = 60, D = 2, EXTRA = 4 };
  double *x = normals((N + EXTRA) * D, 31), *K, alone[(N + EXTRA) * D], wanted, value, was;
  size_t i, j, kept = 0;
  /* Points 7 and 20 get one copy, 33 gets two: seven points have an equal. */
  static const size_t of[EXTRA] = {7, 20, 33, 33};
  for (i = 0; i < EXTRA; i++)
    for (j = 0; j < D; j++) x[(N + i) * D + j] = x[of[i] * D + j];
  for (i = 0; i < N; i++) {
    if (i == 7 || i == 20 || i == 33) continue;
    for (j = 0; j < D; j++) alone[kept * D + j] = x[i * D + j];
    kept++;
  }
  K = linear_gram(x, N + EXTRA, D);
  wanted = dimension_of(alone, kept, D);
  CHECK(kept == N - 3 && invman_duplicates(K, N + EXTRA) == 7);
  CHECK(dimension_of(x, N + EXTRA, D) == wanted);

  /* What rounding leaves of a distance of 0, on either side of it, is none; a relative distance of 1e-6 is one. */
  was = K[7 * (N + EXTRA) + N];
  for (i = 0; i < 3; i++) {
    K[7 * (N + EXTRA) + N] = K[N * (N + EXTRA) + 7] = was * (1 + (i == 0 ? -8 : i == 1 ? 8 : -1e4) * DBL_EPSILON);
    CHECK(invman_duplicates(K, N + EXTRA) == (i == 2 ? 5 : 7));
    CHECK(invman_intrinsic_dimension(NULL, K, N + EXTRA, &value, NULL) == INVMAN_OK);
    CHECK((value == wanted) == (i < 2));
  }
  CHECK(invman_duplicates(NULL, 3) == 0 && invman_duplicates(K, 0) == 0 && invman_duplicates(K, 1) == 0);
  memset(K, 0, 9 * sizeof(double));
  CHECK(invman_duplicates(K, 3) == 3); /* three times the zero vector */
  free(x), free(K);
}

/* ---- power laws */

static void kpca_power_law(void) {
  double x[7], y[7], slope, error;
  size_t i;
  for (i = 0; i < 7; i++) x[i] = 50 * pow(1.7, (double)i * (double)(i + 1) / 2), y[i] = 3e-3 * pow(x[i], -0.37);
  CHECK(invman_fit_power_law(NULL, x, y, 7, &slope, &error) == INVMAN_OK);
  CLOSE(slope, -0.37, 1e-12);
  CLOSE(error, 0, 1e-14);
  CHECK(invman_fit_power_law(NULL, x, y, 2, &slope, &error) == INVMAN_OK && error == HUGE_VAL);
  CLOSE(slope, -0.37, 1e-12);
  for (i = 0; i < 7; i++) y[i] = 0.1;
  CHECK(invman_fit_power_law(NULL, x, y, 7, &slope, &error) == INVMAN_OK && slope == 0 && error == 0);

  /* ln x = 0, 1, 2 and ln y = 2 ln x + (0, 3, 0): the noise has no slope, residuals (-1, 2, -1), S_xx = 2. */
  for (i = 0; i < 3; i++) x[i] = exp((double)i), y[i] = exp(2 * (double)i + (i == 1 ? 3 : 0));
  CHECK(invman_fit_power_law(NULL, x, y, 3, &slope, &error) == INVMAN_OK);
  CLOSE(slope, 2, 1e-14);
  CLOSE(error, sqrt(6.0 / (1 * 2.0)), 1e-14);
  /* ln x = 0, 0, 1, 1 and ln y = 0, 1, 2, 4: slope 2.5, residuals 0.5, 0.5, 1, 1, S_xx = 1. */
  for (i = 0; i < 4; i++) x[i] = i < 2 ? 1 : exp(1.0), y[i] = exp(i < 2 ? (double)i : 2 * (double)(i - 1));
  CHECK(invman_fit_power_law(NULL, x, y, 4, &slope, &error) == INVMAN_OK);
  CLOSE(slope, 2.5, 1e-14);
  CLOSE(error, sqrt(2.5 / (2 * 1.0)), 1e-14);
  for (i = 0; i < 4; i++) x[i] *= 1e300, y[i] *= 1e-300; /* units do not matter */
  CHECK(invman_fit_power_law(NULL, x, y, 4, &slope, NULL) == INVMAN_OK &&
        invman_fit_power_law(NULL, x, y, 4, NULL, &error) == 0);
  CLOSE(slope, 2.5, 1e-12);
  CLOSE(error, sqrt(1.25), 1e-12);
}

static void kpca_median_power_law(void) {
  /* y = 2 x^-0.4 e^noise, 21 seeds: the interval of the medians' exponent holds the truth in 19 of 20 cases; of 200
     draws of the noise asked: 176 to 199, four deviations either way. Exact where there is no noise. */
  enum { N = 5, SEEDS = 21, TRIALS = 200 };
  double x[N] = {64, 128, 256, 512, 1024}, y[N * SEEDS], exponent, interval[2];
  size_t trial, i, j, held = 0;
  invman_rng rng;
  invman_rng_seed(&rng, 5, 5);
  for (i = 0; i < N; i++)
    for (j = 0; j < SEEDS; j++) y[i * SEEDS + j] = j < 3 ? NAN : 2 * pow(x[i], -0.4);
  CHECK(invman_median_power_law(NULL, x, y, N, SEEDS, 50, &rng, &exponent, interval) == INVMAN_OK);
  CLOSE(exponent, -0.4, 1e-13);
  CLOSE(interval[0], -0.4, 1e-13);
  CLOSE(interval[1], -0.4, 1e-13);
  for (trial = 0; trial < TRIALS; trial++) {
    for (i = 0; i < N; i++)
      for (j = 0; j < SEEDS; j++) y[i * SEEDS + j] = 2 * pow(x[i], -0.4) * exp(0.5 * invman_rng_normal(&rng));
    CHECK(invman_median_power_law(NULL, x, y, N, SEEDS, 200, &rng, &exponent, interval) == INVMAN_OK);
    CHECK(interval[0] <= exponent && exponent <= interval[1]);
    held += interval[0] <= -0.4 && -0.4 <= interval[1];
  }
  CHECK(held >= 176 && held < 200);
  for (j = 0; j < SEEDS; j++) y[j] = NAN;
  CHECK(invman_median_power_law(NULL, x, y, N, SEEDS, 50, &rng, &exponent, interval) == INVMAN_E_ARG);
  CHECK(invman_median_power_law(NULL, x, y, 1, SEEDS, 50, &rng, &exponent, interval) == INVMAN_E_ARG);
  CHECK(invman_median_power_law(NULL, x, y, N, SEEDS, 50, NULL, &exponent, interval) == INVMAN_E_ARG);
}

static void kpca_power_law_of_few(void) {
  /* Two points, or one run at an x, do not tell how uncertain an exponent is: it is there, and nothing bounds it. */
  double x[4] = {100, 200, 400, 800}, y[4 * 3], slope, error, exponent, interval[2];
  size_t i, k;
  invman_rng rng;
  invman_rng_seed(&rng, 7, 7);
  for (i = 0; i < 12; i++) y[i] = 3 / sqrt(x[i / 3]) * exp(0.3 * invman_rng_normal(&rng));
  CHECK(invman_fit_power_law(NULL, x, y, 2, &slope, &error) == INVMAN_OK && error == HUGE_VAL);
  CLOSE(slope, log(y[1] / y[0]) / log(2.0), 1e-14);
  CHECK(invman_fit_power_law(NULL, x, y, 4, &slope, &error) == INVMAN_OK && error > 0 && error < 10);
  CHECK(invman_median_power_law(NULL, x, y, 4, 1, 0, &rng, &exponent, interval) == INVMAN_OK);
  CHECK(exponent == slope && interval[0] == -HUGE_VAL && interval[1] == HUGE_VAL);
  for (k = 0; k < 4; k++) { /* one of the four has one run, wherever it stands in its row; then each of them two */
    double kept[12];
    memcpy(kept, y, sizeof kept);
    CHECK(invman_median_power_law(NULL, x, y, 4, 3, 0, &rng, &exponent, interval) == INVMAN_OK);
    CHECK(interval[0] > -10 && interval[0] < exponent && exponent < interval[1] && interval[1] < 10);
    for (i = 0; i < 4; i++) y[3 * i + (i + k) % 3] = NAN;
    CHECK(invman_median_power_law(NULL, x, y, 4, 3, 0, &rng, &exponent, interval) == INVMAN_OK);
    CHECK(interval[0] > -10 && interval[0] < interval[1] && interval[1] < 10);
    y[3 * k + (2 * k + 1) % 3] = NAN;
    CHECK(invman_median_power_law(NULL, x, y, 4, 3, 0, &rng, &exponent, interval) == INVMAN_OK);
    CHECK(exponent > -10 && exponent < 10 && interval[0] == -HUGE_VAL && interval[1] == HUGE_VAL);
    memcpy(y, kept, sizeof kept);
  }
  CHECK(invman_median_power_law(NULL, x, y, 4, 1, 0, &rng, &exponent, NULL) == INVMAN_OK && exponent == slope);
}

static void kpca_power_law_units(void) { /* powers of two change no bit; nor do near values lose their difference */
  static const int powers[5] = {500, -500, 1000, -1000, 3};
  double x[9], y[9], u[9], v[9], slope, error, other[2];
  size_t i, k;
  invman_rng rng;
  invman_rng_seed(&rng, 8, 8);
  for (i = 0; i < 9; i++) x[i] = exp(invman_rng_normal(&rng)), y[i] = exp(invman_rng_normal(&rng));
  CHECK(invman_fit_power_law(NULL, x, y, 9, &slope, &error) == INVMAN_OK);
  for (k = 0; k < 5; k++) {
    for (i = 0; i < 9; i++) u[i] = ldexp(x[i], powers[k]), v[i] = ldexp(y[i], -powers[k]);
    CHECK(invman_fit_power_law(NULL, u, v, 9, &other[0], &other[1]) == INVMAN_OK);
    CHECK(other[0] == slope && other[1] == error);
  }
  for (i = 0; i < 9; i++) x[i] = 1e6 * (1 + ldexp((double)i, -40)), y[i] = 1e-200 * (1 + 3 * ldexp((double)i, -40));
  CHECK(invman_fit_power_law(NULL, x, y, 9, &slope, &error) == INVMAN_OK); /* ln(1 + 3e)/ln(1 + e), values rounded */
  CLOSE(slope, 3, 3e-4);
  CHECK(error < 2e-4);
}

static void kpca_predicted_exponents(void) {
  size_t d, d_par;
  CLOSE(invman_beta_lazy(5), 5 / 13.0, 1e-16);
  CLOSE(invman_beta_lazy(3), 3 / 7.0, 1e-16);
  CLOSE(invman_beta_feature(5, 1), 9 / 13.0, 1e-15);
  CLOSE(invman_beta_feature(10, 1), 19 / 28.0, 1e-15);
  CLOSE(invman_beta_feature(3, 2), 0.5, 1e-16);
  CLOSE(invman_beta_feature(5, 2), 6.5 / 13, 1e-16);
  for (d = 1; d < 20; d++) {
    CLOSE(invman_beta_feature(d, d), invman_beta_lazy(d), 1e-16); /* nothing to compress */
    for (d_par = 2; d_par <= d; d_par++)                          /* Lambda ~ p^(1/2): a gain of d_perp/2/(3d-2) */
      CLOSE(invman_beta_feature(d, d_par), invman_beta_lazy(d) + 0.5 * (double)(d - d_par) / (double)(3 * d - 2),
            1e-15);
  }
  CHECK(invman_beta_lazy(0) == 0 && invman_beta_feature(0, 0) == 0 && invman_beta_feature(3, 0) == 0 &&
        invman_beta_feature(3, 4) == 0 && invman_beta_feature(0, 1) == 0);
}

/* ---- bad input, memory */

static void kpca_bad_information(void) {
  enum { N = 20 };
  size_t k;
  for (k = 0; k < 18; k++) {
    invman_context ctx = bad_context();
    invman_mi_options o;
    invman_rng rng, before;
    double *v = normals(2 * N, 40), y[N], bits = -7, mean = -7, deviation = -7, *bits_out = &bits;
    const double *v_in = v, *y_in = y;
    size_t n = N, dim = 2, place = 0, draws = 3;
    invman_status wanted = INVMAN_E_ARG, status;
    int null_only = k == 16 || k == 17;
    memset(&o, 0, sizeof o);
    alternate(y, N);
    invman_rng_seed(&rng, 1, 1);
    before = rng;
    if (k == 0) v_in = NULL;
    if (k == 1) y_in = NULL;
    if (k == 2) dim = 0;
    if (k == 3) n = 0;
    if (k == 4) n = SIZE_MAX / 2, wanted = INVMAN_E_SIZE;
    if (k == 5) dim = SIZE_MAX / 4, n = 6, wanted = INVMAN_E_SIZE;
    if (k == 6) v[31] = NAN, place = 31, wanted = INVMAN_E_NONFINITE;
    if (k == 7) v[0] = -HUGE_VAL, v[3] = NAN, wanted = INVMAN_E_NONFINITE;
    if (k == 8) y[19] = 0, place = 19;
    if (k == 9) y[4] = 2, y[5] = 3, place = 4;
    if (k == 10) y[7] = NAN, place = 7, wanted = INVMAN_E_NONFINITE;
    if (k == 11) o.k = 10; /* as many as a class has */
    if (k == 12) o.k = SIZE_MAX;
    if (k == 13)
      for (n = 0; n < N; n++) y[n] = 1;
    if (k == 14)
      for (n = 0; n < N; n++) y[n] = n < 5 ? -1 : 1;
    if (k == 15) ctx.alloc = test_alloc; /* without release */
    if (k == 16) draws = 0;
    if (!null_only) {
      status = invman_mutual_information(&ctx, v_in, dim, y_in, n, &o, bits_out);
      if (status != wanted || bad_error.place != place || !bad_error.what || bits != -7)
        test_fail(__FILE__, __LINE__, "information %lu: status %d, place %lu", (unsigned long)k, (int)status,
                  (unsigned long)bad_error.place);
      memset(&bad_error, 0, sizeof bad_error);
    }
    status =
        invman_mutual_information_null(&ctx, v_in, dim, y_in, n, &o, draws, k == 17 ? NULL : &rng, &mean, &deviation);
    if (status != wanted || bad_error.place != place || !bad_error.what || mean != -7 || deviation != -7)
      test_fail(__FILE__, __LINE__, "null %lu: status %d, place %lu", (unsigned long)k, (int)status,
                (unsigned long)bad_error.place);
    CHECK(memcmp(&rng, &before, sizeof rng) == 0); /* nothing is drawn */
    free(v);
  }
  {
    double v[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, y[12], bits;
    alternate(y, 12);
    CHECK(invman_mutual_information(NULL, v, 1, y, 12, NULL, NULL) == INVMAN_E_ARG);
    CHECK(invman_mutual_information(NULL, v, 1, y, 12, NULL, &bits) == INVMAN_OK); /* six of each: just enough */
    CHECK(invman_mutual_information(NULL, v, 1, y, 11, NULL, &bits) == INVMAN_E_ARG);
  }
}

static void kpca_bad_dimension(void) {
  enum { N = 6 };
  size_t k;
  for (k = 0; k < 8; k++) {
    invman_context ctx = bad_context();
    double *x = normals(N * 2, 41), *K, value = -7, error = -7;
    size_t n = N, place = 0;
    invman_status wanted = INVMAN_E_ARG, status;
    if (k == 1) memcpy(x, x + 2, 2 * sizeof(double)), memcpy(x + 6, x + 4, 2 * sizeof(double)); /* two others left */
    K = linear_gram(x, N, 2);
    if (k == 0) n = 2;
    if (k == 2) K[17] = NAN, place = 17, wanted = INVMAN_E_NONFINITE;
    if (k == 3) K[0] = HUGE_VAL, wanted = INVMAN_E_NONFINITE;
    if (k == 4) n = (size_t)1 << (4 * sizeof(size_t)), wanted = INVMAN_E_SIZE;
    if (k == 5) n = SIZE_MAX, wanted = INVMAN_E_SIZE;
    if (k == 6) n = 0;
    if (k == 7) ctx.release = test_release; /* without alloc */
    status = invman_intrinsic_dimension(&ctx, K, n, &value, &error);
    if (status != wanted || bad_error.place != place || !bad_error.what || value != -7 || error != -7)
      test_fail(__FILE__, __LINE__, "dimension %lu: status %d, place %lu", (unsigned long)k, (int)status,
                (unsigned long)bad_error.place);
    CHECK(invman_intrinsic_dimension(&ctx, NULL, n, &value, &error) == INVMAN_E_ARG);
    free(x), free(K);
  }
}

static void kpca_bad_power_law(void) {
  size_t k;
  for (k = 0; k < 12; k++) {
    invman_context ctx = bad_context();
    double x[7], y[7], slope = -7, error = -7;
    size_t i, n = 7, place = 0;
    const char *of = "";
    invman_status wanted = INVMAN_E_ARG, status;
    for (i = 0; i < 7; i++) x[i] = 1 + (double)i, y[i] = 2 + (double)i;
    if (k == 0) n = 0;
    if (k == 1) n = 1;
    if (k == 2) x[3] = 0, place = 3, of = "an x";
    if (k == 3) y[6] = -1, place = 6, of = "a y";
    if (k == 4) x[6] = NAN, place = 6, of = "an x", wanted = INVMAN_E_NONFINITE;
    if (k == 5) y[0] = HUGE_VAL, of = "a y", wanted = INVMAN_E_NONFINITE;
    if (k == 6) x[2] = -HUGE_VAL, place = 2, of = "an x", wanted = INVMAN_E_NONFINITE;
    if (k == 11) y[2] = 0, place = 2, of = "a y";
    if (k > 6 && k < 11)
      for (i = 0; i < 7; i++) x[i] = k == 7 ? 0.1 : k == 8 ? 1e300 : k == 9 ? 5e-324 : 3; /* all the same */
    status = invman_fit_power_law(&ctx, x, y, n, &slope, &error);
    if (status != wanted || bad_error.place != place || !bad_error.what || !strstr(bad_error.what, of) ||
        strcmp(bad_error.unit, *of ? "element" : "") != 0 || slope != -7 || error != -7)
      test_fail(__FILE__, __LINE__, "power law %lu: status %d, place %lu of %s", (unsigned long)k, (int)status,
                (unsigned long)bad_error.place, bad_error.what);
    CHECK(invman_fit_power_law(&ctx, NULL, y, 7, &slope, &error) == INVMAN_E_ARG);
    CHECK(invman_fit_power_law(NULL, y, NULL, 7, &slope, &error) == INVMAN_E_ARG);
  }
}

static void kpca_bad_medians(void) { /* which x it is; a draw that fails leaves no message */
  size_t k;
  for (k = 0; k < 7; k++) {
    invman_context ctx = bad_context();
    double x[4] = {1, 2, 4, 8}, y[4 * 3], slope = -7, interval[2] = {-7, -7};
    size_t i, place = 0;
    invman_status wanted = INVMAN_E_ARG, status;
    invman_rng rng;
    invman_rng_seed(&rng, 6, 6);
    for (i = 0; i < 12; i++) y[i] = 1 + (double)i;
    if (k == 0) x[3] = -1, place = 3;
    if (k == 1) x[2] = NAN, place = 2, wanted = INVMAN_E_NONFINITE;
    if (k == 2) y[3] = y[4] = y[5] = NAN, place = 1; /* no run */
    if (k == 3) y[9] = y[10] = 0, place = 3;         /* the median is 0 */
    if (k == 4) y[6] = y[7] = HUGE_VAL, place = 2, wanted = INVMAN_E_NONFINITE;
    if (k == 5) x[0] = x[1] = x[2] = x[3] = 2;
    if (k == 6) y[9] = 0, wanted = INVMAN_OK; /* of many draws some have a median of 0 */
    status = invman_median_power_law(&ctx, x, y, 4, 3, 0, &rng, &slope, interval);
    if (status != wanted || bad_error.place != place || !bad_error.what != (status == INVMAN_OK))
      test_fail(__FILE__, __LINE__, "medians %lu: status %d, place %lu", (unsigned long)k, (int)status,
                (unsigned long)bad_error.place);
    if (k < 6) CHECK(slope == -7 && interval[0] == -7 && interval[1] == -7);
    else CHECK(slope > 0 && interval[0] == -HUGE_VAL && interval[1] == HUGE_VAL); /* 7 of 27 draws: more than 1 in 40 */
  }
}

static void kpca_memory(void) { /* O(n dim) and O(n): as the documentation says */
  enum { N = 400 };
  double *v = normals(3 * N, 43), *K = linear_gram(v, N, 3), y[N], one;
  test_heap heap;
  invman_context ctx = test_context(&heap);
  alternate(y, N);
  CHECK(invman_mutual_information(&ctx, v, 3, y, N, NULL, &one) == INVMAN_OK);
  CHECK(heap.peak < 8 * (2 * 3 * N + 5 * N + 64 * 6) + 1024);
  heap.peak = 0;
  CHECK(invman_intrinsic_dimension(&ctx, K, N, &one, NULL) == INVMAN_OK && heap.peak < 17 * N + 1024);
  free(v), free(K);
}

static void kpca_tests(void) {
  RUN(kpca_information_golden);
  RUN(kpca_information_is_the_plain_one);
  RUN(kpca_information_of_many);
  RUN(kpca_information_closed_forms);
  RUN(kpca_information_invariances);
  RUN(kpca_information_null);
  RUN(kpca_shuffle_is_even);
  RUN(kpca_dimension_golden);
  RUN(kpca_dimension_of_gaussians);
  RUN(kpca_dimension_invariances);
  RUN(kpca_dimension_closed_forms);
  RUN(kpca_duplicates);
  RUN(kpca_power_law);
  RUN(kpca_median_power_law);
  RUN(kpca_power_law_of_few);
  RUN(kpca_power_law_units);
  RUN(kpca_predicted_exponents);
  RUN(kpca_information_of_few_values);
  RUN(kpca_information_of_shares);
  RUN(kpca_information_of_normals);
  RUN(kpca_information_of_every_size);
  RUN(kpca_same_bits_for_any_threads);
  RUN(kpca_bad_information);
  RUN(kpca_bad_dimension);
  RUN_UNFLUSHED(kpca_bad_power_law);
  RUN(kpca_bad_medians);
  RUN(kpca_memory);
}
