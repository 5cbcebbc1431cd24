/* Tangent kernels: golden values, gradients, every tile and part, the limit of infinite width. */

static void ntk_golden(void) { /* of the network, by autograd */
  static const char *const name[3] = {"all", "first", "last"};
  const char *path = GOLDEN "fc.txt";
  double *x = golden(path, "x", 60), *z = golden(path, "z", 35), K[144];
  invman_net net;
  int part;
  net.h = 64;
  net.d = 5;
  net.w = golden(path, "w", 320);
  net.b = golden(path, "b", 64);
  net.beta = golden(path, "beta", 64);
  for (part = INVMAN_NTK_ALL; part <= INVMAN_NTK_LAST_LAYER; part++) {
    char key[32];
    double *square, *rectangle;
    size_t i;
    snprintf(key, sizeof key, "ktrtr_%s", name[part]);
    square = golden(path, key, 144);
    snprintf(key, sizeof key, "ktetr_%s", name[part]);
    rectangle = golden(path, key, 84);
    CHECK(invman_ntk_gram(NULL, &net, part, x, 12, NULL, 0, K) == INVMAN_OK);
    for (i = 0; i < 144; i++) CLOSE(K[i], square[i], 1e-12 * fabs(square[i]) + 1e-17);
    CHECK(invman_ntk_gram(NULL, &net, part, z, 7, x, 12, K) == INVMAN_OK);
    for (i = 0; i < 84; i++) CLOSE(K[i], rectangle[i], 1e-12 * fabs(rectangle[i]) + 1e-17);
    free(square), free(rectangle);
  }
  free(x), free(z), free(net.w), free(net.b), free(net.beta);
}

static void ntk_is_the_gradients_product(void) { /* for every width of vectors, and points that fill no tile */
  enum { P = 37, H = 700, D = 3 };
  test_problem q = make_problem(INVMAN_STRIPE, D, P, H, 6);
  double *K = (double *)malloc(P * P * sizeof(double));
  invman_net grad[P];
  size_t i, j, k, bits;
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  for (i = 0; i < P; i++) {
    double unit = 1;
    memset(&grad[i], 0, sizeof grad[i]);
    invman_net_gradient(NULL, &q.net, q.train.x + i * D, 1, &unit, &grad[i]);
  }
  for (bits = 128; bits <= 512; bits *= 2) {
    ctx.vector_bits = (int)bits;
    CHECK(invman_ntk_gram(&ctx, &q.net, INVMAN_NTK_ALL, q.train.x, P, NULL, 0, K) == INVMAN_OK);
    for (i = 0; i < P; i++)
      for (j = 0; j < P; j++) {
        double sum = 0;
        for (k = 0; k < H * D; k++) sum += grad[i].w[k] * grad[j].w[k];
        for (k = 0; k < H; k++) sum += grad[i].b[k] * grad[j].b[k] + grad[i].beta[k] * grad[j].beta[k];
        CLOSE(K[i * P + j], sum, 1e-14 * fabs(sum) + 1e-17);
      }
  }
  for (i = 0; i < P; i++) invman_net_free(NULL, &grad[i]);
  free(K);
  free_problem(&q);
}

#ifdef INVMAN_USE_CBLAS
static const double ntk_apart = 1e-16; /* BLAS adds up the parts in another order than the whole */
#else
static const double ntk_apart = 0;
#endif

static void ntk_tiles(void) { /* more points than a tile: blocks of the whole are the Gram matrices of the parts */
  enum { N = 1300, M = 1100, H = 20, D = 2, A = 1000, B = 100 };
  invman_net net = random_net(H, D, 3);
  double *x = normals(N * D, 1), *z = normals(M * D, 2), *part = (double *)malloc(B * B * sizeof(double));
  double *K = (double *)malloc(N * N * sizeof(double)), *R = (double *)malloc(N * M * sizeof(double));
  size_t i, j;
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x, N, z, M, R) == INVMAN_OK);
  for (i = 0; i < N; i++)
    for (j = 0; j < i; j++) CHECK(K[i * N + j] == K[j * N + i]);
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x + A * D, B, x + (N - B) * D, B, part) == INVMAN_OK);
  for (i = 0; i < B; i++)
    for (j = 0; j < B; j++)
      CLOSE(K[(A + i) * N + N - B + j], part[i * B + j], 1e-15 * fabs(part[i * B + j]) + ntk_apart);
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x + A * D, B, z + (A - 25) * D, B, part) == INVMAN_OK);
  for (i = 0; i < B; i++)
    for (j = 0; j < B; j++)
      CLOSE(R[(A + i) * M + A - 25 + j], part[i * B + j], 1e-15 * fabs(part[i * B + j]) + ntk_apart);
  free(x), free(z), free(K), free(R), free(part);
  invman_net_free(NULL, &net);
}

static void ntk_parts_add_up(void) {
  enum { N = 30, D = 4 };
  invman_net net = random_net(100, D, 5);
  double *x = normals(N * D, 7), K[3][N * N];
  size_t i;
  int part, infinite;
  for (infinite = 0; infinite < 2; infinite++) {
    for (part = 0; part < 3; part++)
      CHECK((infinite ? invman_ntk_gram_infinite(NULL, D, part, x, N, NULL, 0, K[part])
                      : invman_ntk_gram(NULL, &net, part, x, N, NULL, 0, K[part])) == INVMAN_OK);
    for (i = 0; i < N * N; i++) CLOSE(K[1][i] + K[2][i], K[0][i], 1e-14 * K[0][i]);
  }
  free(x);
  invman_net_free(NULL, &net);
}

static void ntk_infinite_golden(void) {
  /* On the diagonal the closed form is known, 2 q or q; the file's arc cosine of 1 - 2^-53 is off there by 2e-8. */
  static const char *const name[3] = {"all", "first", "last"};
  const char *path = GOLDEN "ntk_infinite.txt";
  double *x = golden(path, "x", 36), *z = golden(path, "z", 20), K[81];
  int part;
  for (part = INVMAN_NTK_ALL; part <= INVMAN_NTK_LAST_LAYER; part++) {
    char key[32];
    double *square, *rectangle;
    size_t i;
    snprintf(key, sizeof key, "%s_xx", name[part]);
    square = golden(path, key, 81);
    snprintf(key, sizeof key, "%s_xz", name[part]);
    rectangle = golden(path, key, 45);
    CHECK(invman_ntk_gram_infinite(NULL, 4, part, x, 9, NULL, 0, K) == INVMAN_OK);
    for (i = 0; i < 9; i++) {
      double q = invman_i_inner(x + 4 * i, x + 4 * i, 4) / 4 + 1;
      CLOSE(K[i * 10], part == INVMAN_NTK_ALL ? 2 * q : q, 1e-14);
      square[i * 10] = K[i * 10];
    }
    CLOSE(largest_difference(K, square, 81), 0, 1e-13);
    CHECK(invman_ntk_gram_infinite(NULL, 4, part, x, 9, z, 5, K) == INVMAN_OK);
    CLOSE(largest_difference(K, rectangle, 45), 0, 1e-13);
    free(square), free(rectangle);
  }
  free(x), free(z);
}

static void ntk_infinite_is_the_limit(void) {
  /* h Theta of a random network scatters about it by some 3/sqrt(h): 0.0067 at h = 200000; asked: four times that. */
  enum { N = 6, H = 200000, D = 3 };
  invman_net net = random_net(H, D, 8);
  double *x = normals(N * D, 9), K[N * N], L[N * N];
  size_t i;
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, x, N, NULL, 0, L) == INVMAN_OK);
  for (i = 0; i < N * N; i++) CLOSE(H * K[i], L[i], 0.027 * L[i]);
  free(x);
  invman_net_free(NULL, &net);
}

static void ntk_infinite_near_the_diagonal(void) {
  /* d = 1: theta is the difference of two arctangents, which is exact for points as close as can be. */
  const double pi = 3.14159265358979323846;
  double a, gap;
  for (a = -30; a < 30; a += 0.7)
    for (gap = 1e-15; gap < 10; gap *= 3) {
      double x = a, z = a + gap, K, q = x * z + 1, theta = fabs(atan2(z - x, q)); /* tan of a difference */
      CHECK(invman_ntk_gram_infinite(NULL, 1, INVMAN_NTK_FIRST_LAYER, &x, 1, &z, 1, &K) == INVMAN_OK);
      CLOSE(K, (pi - theta) * q / pi, 1e-15 * (x * x + 1 + z * z));
    }
  for (a = -1e6; a < 1e6; a += 34567.8) { /* the diagonal itself is 2 (x^2 + 1), exactly */
    double K;
    CHECK(invman_ntk_gram_infinite(NULL, 1, INVMAN_NTK_ALL, &a, 1, &a, 1, &K) == INVMAN_OK);
    CLOSE(K, 2 * (a * a + 1), 4e-16 * K);
  }
}

/* ---- the limit's rows: their functions, every shape of their tiles */

typedef void (*lanes_task)(const invman_i_lanes *x, const invman_i_lanes *y, invman_i_lanes *out);

static void angle_base(const invman_i_lanes *sine, const invman_i_lanes *q, invman_i_lanes *out) {
  invman_i_angle(sine, q, out, 2);
}
static void root_base(const invman_i_lanes *x, const invman_i_lanes *y, invman_i_lanes *out) {
  (void)y;
  invman_i_root(out, x, 2);
}
#if defined(__GNUC__) && !defined(INVMAN_NO_SIMD) && (defined(__x86_64__) || defined(__i386__))
__attribute__((target("avx2,fma"))) static void angle_256(const invman_i_lanes *sine, const invman_i_lanes *q,
                                                          invman_i_lanes *out) {
  invman_i_angle(sine, q, out, 4);
}
__attribute__((target("avx512f,avx512dq,avx512vl"))) static void angle_512(const invman_i_lanes *sine,
                                                                           const invman_i_lanes *q,
                                                                           invman_i_lanes *out) {
  invman_i_angle(sine, q, out, 8);
}
__attribute__((target("avx2,fma"))) static void root_256(const invman_i_lanes *x, const invman_i_lanes *y,
                                                         invman_i_lanes *out) {
  (void)y;
  invman_i_root(out, x, 4);
}
__attribute__((target("avx512f,avx512dq,avx512vl"))) static void root_512(const invman_i_lanes *x,
                                                                          const invman_i_lanes *y,
                                                                          invman_i_lanes *out) {
  (void)y;
  invman_i_root(out, x, 8);
}
static lanes_task angle_of(int bits) { return bits == 512 ? angle_512 : bits == 256 ? angle_256 : angle_base; }
static lanes_task root_of(int bits) { return bits == 512 ? root_512 : bits == 256 ? root_256 : root_base; }
#else
static lanes_task angle_of(int bits) { return bits > 0 ? angle_base : NULL; }
static lanes_task root_of(int bits) { return bits > 0 ? root_base : NULL; }
#endif

static int widest_bits(void) { return invman_i_vector_bits(NULL) < 128 ? 128 : invman_i_vector_bits(NULL); }

static void ntk_infinite_root(void) { /* to an ulp and a half, whatever the exponent, in every lane */
  int bits, exponent;
  for (bits = 128; bits <= widest_bits(); bits *= 2) {
    for (exponent = floats_flush ? -900 : -1000; exponent <= 1000; exponent++) {
      double *u = normals(8, (uint64_t)(exponent + 2000));
      invman_i_lanes x, root;
      size_t c;
      for (c = 0; c < 8; c++) x.d[c] = ldexp(1 + fmod(fabs(u[c]), 1), exponent);
      x.d[exponent & 7] = ldexp(1, exponent); /* ends of the interval that the first guess is made for */
      x.d[(exponent + 3) & 7] = ldexp(1 - DBL_EPSILON / 2, exponent);
      root_of(bits)(&x, &x, &root);
      for (c = 0; c < 8; c++) CLOSE(root.d[c], sqrt(x.d[c]), 1.5 * DBL_EPSILON * sqrt(x.d[c]));
      free(u);
    }
  }
}

static void ntk_infinite_angle(void) { /* against the arc tangent and the arc cosine of long doubles */
  static const double ends[] = {0.0,
                                1e-300,
                                1e-17,
                                1.1102230246251565e-16,
                                1e-8,
                                0.3,
                                0.41421356237309503,
                                0.41421356237309509,
                                0.9999,
                                1.0,
                                1.0001,
                                2.414,
                                7.0,
                                1e8,
                                1e20,
                                1e300};
  const long double pi = 3.14159265358979323846264338327950288L;
  int bits, k;
  size_t c;
  for (bits = 128; bits <= widest_bits(); bits *= 2) {
    invman_i_lanes sine, q, out;
    for (k = 0; k < 16;
         k++) { /* the ratio of the two: 1 - theta/pi is small where q < 0, and has all its digits there */
      for (c = 0; c < 8; c++) {
        sine.d[c] = c & 2 ? 1.0 : c & 4 ? 3.0 * ends[k] : ends[k];
        q.d[c] = (c & 1 ? -1.0 : 1.0) * (c & 2 ? ends[k] : c & 4 ? 3.0 : 1.0);
      }
      angle_of(bits)(&sine, &q, &out);
      for (c = 0; c < 8; c++) {
        double wanted = (double)(atan2l((long double)sine.d[c], -(long double)q.d[c]) / pi);
        CLOSE(out.d[c], wanted, 8e-16 * wanted);
      }
    }
    for (k = 0; k < 4000; k++) { /* acos: over (-1,1), and where it is next to its ends and to its middle */
      double *u = normals(8, (uint64_t)k);
      for (c = 0; c < 8; c++) {
        double small = ldexp(1, -(k % 54)), t = -1 + (8.0 * k + (double)c + 0.5) / 16000;
        q.d[c] = k % 4 == 0 ? t : k % 4 == 1 ? 1 - small : k % 4 == 2 ? small - 1 : small * u[c] / 8;
        sine.d[c] = sqrt((1 - q.d[c]) * (1 + q.d[c]));
      }
      angle_of(bits)(&sine, &q, &out);
      for (c = 0; c < 8; c++) {
        double theta = (double)acosl((long double)q.d[c]);
        CLOSE(3.14159265358979323846 * (1 - out.d[c]), theta, 1e-15);
        theta = (double)acosl(-(long double)q.d[c]);
        CLOSE(3.14159265358979323846 * out.d[c], theta, 1e-15 * theta);
      }
      free(u);
    }
  }
}

/* One entry of the limit in long doubles, and what its rounding is measured with. */
static double infinite_entry(const double *x, const double *z, size_t d, int part, double *size) {
  const long double pi = 3.14159265358979323846264338327950288L, dimension = (long double)d;
  long double xx = 0, xz = 0, zz = 0, rest = 0, c, sine, first;
  size_t k;
  for (k = 0; k < d; k++) {
    long double a = (long double)x[k], b = (long double)z[k];
    xx += a * a;
    xz += a * b;
    zz += b * b;
  }
  xx = xx / dimension + 1;
  xz = xz / dimension + 1;
  zz = zz / dimension + 1;
  c = xz / xx;
  for (k = 0; k < d; k++) {
    long double r = (long double)z[k] - c * (long double)x[k];
    rest += r * r;
  }
  sine = sqrtl(xx * (rest / dimension + (1 - c) * (1 - c)));
  first = (pi - atan2l(sine, xz)) * xz;
  *size = (double)sqrtl(xx * zz);
  return (double)((part == 0 ? sine + 2 * first : part == 1 ? first : sine + first) / pi);
}

/* Points of which some are the same, some nearly, and some far away. */
static double *infinite_points(size_t n, size_t d, uint64_t seed) {
  double *x = normals(n * d, seed);
  size_t i, k;
  for (i = 7; i < n; i += 5)
    for (k = 0; k < d; k++) {
      double from = x[(i / 2) * d + k];
      x[i * d + k] = i % 4 == 0   ? from
                     : i % 4 == 1 ? from * (1 + 1e-9)
                     : i % 4 == 2 ? from + 0.03 * x[i * d + k]
                                  : -1e4 * from;
    }
  return x;
}

static void ntk_infinite_shapes(void) { /* every shape of tile and width of vector, against loops of long doubles */
  static const size_t ds[] = {1, 2, 5, 8, 17, 64, 65, 200};
  static const size_t sizes[] = {1, 2, 7, 9, 15, 16, 25, 49, 191, 193, 400};
  enum { D = sizeof ds / sizeof *ds, N = sizeof sizes / sizeof *sizes };
  size_t a, b, c, i, j;
  for (a = 0; a < N; a++)
    for (b = 0; b <= N; b++) /* N: of x with itself */
      for (c = 0; c < D; c++) {
        size_t n = sizes[a], d = ds[c], square = b == N, m = square ? n : sizes[b];
        int part = (int)((a + b + c) % 3), bits;
        double *x, *z, *K, *wanted, *size;
        if (n * m > 10000 && !(d == 5 && b + 1 >= a) && !(d == 65 && square)) continue;
        x = infinite_points(n, d, a);
        z = square ? NULL : infinite_points(m, d, a); /* the same points */
        K = (double *)malloc((n * m + 1) * sizeof(double));
        wanted = (double *)malloc(n * m * sizeof(double));
        size = (double *)malloc(n * m * sizeof(double));
        for (i = 0; i < n; i++)
          for (j = 0; j < m; j++)
            wanted[i * m + j] = infinite_entry(x + i * d, (z ? z : x) + j * d, d, part, &size[i * m + j]);
        for (bits = 128; bits <= widest_bits(); bits *= 2) {
          invman_context ctx;
          memset(&ctx, 0, sizeof ctx);
          ctx.vector_bits = bits;
          for (i = 0; i <= n * m; i++) K[i] = 1e33;
          CHECK(invman_ntk_gram_infinite(&ctx, d, part, x, n, z, square ? 0 : m, K) == INVMAN_OK);
          for (i = 0; i < n * m; i++) CLOSE(K[i], wanted[i], 1.5e-15 * size[i]);
          for (i = 0; i < n && square; i++)
            for (j = 0; j < i; j++) CHECK(K[i * n + j] == K[j * n + i]);
          CHECK(K[n * m] == 1e33);
        }
        free(x), free(z), free(K), free(wanted), free(size);
      }
}

static void ntk_infinite_by_blocks(void) { /* an entry has the same bits whatever it is computed with */
  static const size_t widths[] = {1, 2, 15, 16, 24, 130};
  enum { N = 400 };
  size_t d, w, i, j, k;
  int bits;
  for (bits = 128; bits <= widest_bits(); bits *= 2)
    for (d = 5; d < 300; d += 260) {
      double *x = infinite_points(N, d, d), *K = (double *)malloc(N * N * sizeof(double));
      double *L = (double *)malloc(N * N * sizeof(double));
      size_t tasks = 0;
      invman_context ctx;
      test_heap heap;
      ctx = test_context(&heap);
      ctx.vector_bits = bits;
      CHECK(invman_ntk_gram_infinite(&ctx, d, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
      for (w = 0; w < 6; w++) { /* columns, and rows */
        size_t m = widths[w];
        for (j = 3; j + m <= N; j += 191) {
          CHECK(invman_ntk_gram_infinite(&ctx, d, INVMAN_NTK_ALL, x, N, x + j * d, m, L) == INVMAN_OK);
          for (i = 0; i < N; i++)
            for (k = 0; k < m; k++) CHECK(L[i * m + k] == K[i * N + j + k]);
          CHECK(invman_ntk_gram_infinite(&ctx, d, INVMAN_NTK_ALL, x + j * d, m, x, N, L) == INVMAN_OK);
          CHECK(same_bits(L, K + j * N, m * N));
        }
      }
      CHECK(heap.calls == 0); /* nothing is beside K */
      ctx.parallel_for = backwards;
      ctx.user = &tasks;
      ctx.alloc = NULL;
      ctx.release = NULL;
      CHECK(invman_ntk_gram_infinite(&ctx, d, INVMAN_NTK_ALL, x, N, x, N, L) == INVMAN_OK && tasks > 1);
      CHECK(same_bits(K, L, N * N));
      free(x), free(K), free(L);
    }
}

static void ntk_infinite_diagonal(void) { /* of equal points theta is 0, to the last digit, and K is 2 q */
  size_t d, i;
  int bits;
  for (bits = 128; bits <= widest_bits(); bits *= 2)
    for (d = 1; d < 800; d += 1 + d / 3) {
      enum { N = 30 };
      double *x = normals(N * d, d), K[N * N];
      invman_context ctx;
      memset(&ctx, 0, sizeof ctx);
      ctx.vector_bits = bits;
      for (i = 0; i < d; i++) x[(N - 1) * d + i] = x[i];
      CHECK(invman_ntk_gram_infinite(&ctx, d, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
      for (i = 0; i < N; i++) {
        double size, wanted = infinite_entry(x + i * d, x + i * d, d, 0, &size);
        CLOSE(K[i * (N + 1)], wanted, (2 + sqrt((double)d)) * DBL_EPSILON * wanted);
      }
      CHECK(K[N - 1] == K[0]);
      free(x);
    }
}

static void ntk_infinite_finds_what_is_not_finite(void) { /* anywhere, by any route; K is then empty */
  enum { N = 40, D = 3 };
  static const double bad[3] = {HUGE_VAL, -HUGE_VAL, (double)NAN};
  static const size_t shapes[][2] = {{N, 0}, {N, N}, {N, 1}, {1, N}, {N, 5}, {5, N}, {1, 1}, {N, 16}};
  size_t s, side, at, i;
  for (s = 0; s < 8; s++)
    for (side = 0; side < 2; side++) {
      size_t n = shapes[s][0], m = shapes[s][1] ? shapes[s][1] : n, count = (side ? m : n) * D;
      if (side && !shapes[s][1]) continue;
      for (at = 0; at < count; at++) {
        double *x = normals(n * D, 1), *z = normals(m * D, 2), K[N * N];
        int part = (int)(at % 3);
        invman_error error;
        invman_context ctx;
        memset(&ctx, 0, sizeof ctx);
        ctx.error = &error;
        (side ? z : x)[at] = bad[at / 3 % 3];
        for (i = 0; i < n * m; i++) K[i] = 7;
        CHECK(invman_ntk_gram_infinite(&ctx, D, part, x, n, shapes[s][1] ? z : NULL, m, K) == INVMAN_E_NONFINITE);
        CHECK(error.place == at &&
              !strcmp(error.what, side ? "ntk_gram: z is not finite" : "ntk_gram: x is not finite"));
        for (i = 0; i < n * m; i++) CHECK(K[i] == 0);
        (side ? z : x)[at] = 1e200; /* is finite, though its square is not */
        CHECK(invman_ntk_gram_infinite(&ctx, D, part, x, n, shapes[s][1] ? z : NULL, m, K) == INVMAN_E_NONFINITE);
        CHECK(error.place < n * m && !strcmp(error.what, "ntk_gram: the kernel is not finite") && K[n * m / 2] == 0);
        free(x), free(z);
      }
    }
}

static void ntk_of_column(size_t j, double *column, void *arg) { /* of the kernel with which a test trains */
  const invman_data *data = (const invman_data *)arg;
  if (invman_ntk_gram_infinite(NULL, data->d, INVMAN_NTK_ALL, data->x, data->n, data->x + j * data->d, 1, column) < 0)
    exit(1);
}

static void ntk_any_threads(void) { /* the order of tasks does not change a bit */
  enum { N = 300, H = 500, D = 4 };
  invman_net net = random_net(H, D, 3);
  double *x = normals(N * D, 1);
  double *K = (double *)malloc(N * N * sizeof(double)), *L = (double *)malloc(N * N * sizeof(double));
  size_t tasks = 0;
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.parallel_for = backwards;
  ctx.user = &tasks;
  CHECK(invman_ntk_gram(NULL, &net, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram(&ctx, &net, INVMAN_NTK_ALL, x, N, NULL, 0, L) == INVMAN_OK);
  CHECK(same_bits(K, L, N * N));
  CHECK(invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, x, N, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram_infinite(&ctx, D, INVMAN_NTK_ALL, x, N, NULL, 0, L) == INVMAN_OK);
  CHECK(same_bits(K, L, N * N));
  CHECK(tasks > 0);
  free(x), free(K), free(L);
  invman_net_free(NULL, &net);
}

static void ntk_bad_input(void) {
  invman_net net = random_net(10, 2, 1);
  double x[4] = {1, 2, 3, 4}, K[4];
  invman_error error;
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_ntk_gram(&ctx, &net, 3, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram(&ctx, &net, 0, NULL, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram(&ctx, &net, 0, x, 2, NULL, 0, NULL) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram_infinite(&ctx, 0, 0, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_ntk_gram(&ctx, &net, 0, x, SIZE_MAX / 2, NULL, 0, K) == INVMAN_E_SIZE);
  CHECK(invman_ntk_gram_infinite(&ctx, 2, 0, x, 2, x, SIZE_MAX / 2, K) == INVMAN_E_SIZE);
  CHECK(invman_ntk_gram(&ctx, &net, 0, x, 0, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_ntk_gram(&ctx, &net, 0, x, 2, x, 0, K) == INVMAN_OK);
  x[3] = HUGE_VAL;
  CHECK(invman_ntk_gram(&ctx, &net, 0, x, 2, NULL, 0, K) == INVMAN_E_NONFINITE && error.place == 3);
  CHECK(invman_ntk_gram_infinite(&ctx, 2, 0, x, 1, x, 2, K) == INVMAN_E_NONFINITE && error.place == 3);
  invman_net_free(NULL, &net);
}

static void product_of_matrices(
    void) { /* every shape of panel, both ways to store, one triangle, against three loops */
  static const size_t sizes[] = {1, 7, 8, 9, 24, 31, 70, 200, 300};
  size_t u, v, w, i, j, l, bits;
  for (bits = 128; bits <= 512; bits *= 2)
    for (u = 0; u < 9; u++)
      for (v = 0; v < 9; v += 2)
        for (w = 0; w < 9; w += 4) {
          size_t m = sizes[u], n = sizes[v], k = sizes[w];
          double *a = normals(m * k, u + 1), *b = normals(k * n, v + 20), *c = normals(m * n, w + 40);
          invman_i_scope scope = invman_i_open(NULL);
          invman_i_gemm room = invman_i_gemm_reserve(&scope, m, m > n ? m : n);
          invman_context ctx;
          int form;
          memset(&ctx, 0, sizeof ctx);
          ctx.vector_bits = (int)bits;
          for (form = 0; form < 5; form++) { /* 4: a a' in the upper triangle */
            int ta = form & 1, tb = form & 2, upper = form == 4;
            size_t columns = upper ? m : n, rows = m;
            double *out = (double *)malloc(rows * columns * sizeof(double));
            invman_i_matrix A = ta ? invman_i_transposed(invman_i_plain(a, k, m, m)) : invman_i_plain(a, m, k, k);
            invman_i_matrix B = upper ? invman_i_transposed(invman_i_plain(a, m, k, k))
                                : tb  ? invman_i_transposed(invman_i_plain(b, n, k, k))
                                      : invman_i_plain(b, k, n, n);
            for (i = 0; i < rows * columns; i++) out[i] = c[i % (m * n)];
            invman_i_product_add(&ctx, &room, -0.5, A, B, out, columns, upper);
            for (i = 0; i < rows; i++)
              for (j = upper ? i : 0; j < columns; j++) {
                double sum = 0, size = 0;
                for (l = 0; l < k; l++) {
                  double term = A.at[i * A.row + l * A.column] * B.at[l * B.row + j * B.column];
                  sum += term;
                  size += fabs(term);
                }
                CLOSE(out[i * columns + j], c[(i * columns + j) % (m * n)] - 0.5 * sum, 1e-15 * (size + 3));
              }
            free(out);
          }
          invman_i_close(&scope);
          free(a), free(b), free(c);
        }
}

static void product_with_a_vector(void) { /* one triangle read, against two loops */
  size_t n, i, j, bits;
  for (bits = 128; bits <= 512; bits *= 2)
    for (n = 1; n < 150; n += 1 + n / 9) {
      size_t stride = n + n % 3;
      double *A = normals(n * stride, n), *x = normals(n, 3), *y = normals(n, 4);
      double *partial = (double *)malloc(INVMAN_I_SYMV_GROUPS * n * sizeof(double));
      invman_context ctx;
      memset(&ctx, 0, sizeof ctx);
      ctx.vector_bits = (int)bits;
      for (i = 0; i < n; i++)
        for (j = 0; j < i; j++) A[i * stride + j] = HUGE_VAL; /* not to be read */
      invman_i_symmetric_times(&ctx, A, n, stride, x, partial, y);
      for (i = 0; i < n; i++) {
        double sum = 0;
        for (j = 0; j < n; j++) sum += A[i < j ? i * stride + j : j * stride + i] * x[j];
        CLOSE(y[i], sum, 1e-15 * (double)n * 10);
      }
      free(A), free(x), free(y), free(partial);
    }
}

static void ntk_tests(void) {
  RUN(product_of_matrices);
  RUN(product_with_a_vector);
  RUN(ntk_golden);
  RUN(ntk_is_the_gradients_product);
  RUN(ntk_tiles);
  RUN(ntk_parts_add_up);
  RUN(ntk_infinite_golden);
  RUN(ntk_infinite_is_the_limit);
  RUN(ntk_infinite_near_the_diagonal);
  RUN(ntk_infinite_root);
  RUN(ntk_infinite_angle);
  RUN(ntk_infinite_shapes);
  RUN(ntk_infinite_by_blocks);
  RUN(ntk_infinite_diagonal);
  RUN(ntk_infinite_finds_what_is_not_finite);
  RUN(ntk_any_threads);
  RUN(ntk_bad_input);
}
