/* The convolutional network: golden values, a plain reference, finite differences, Gram matrices, threads, files. */

static invman_convnet_options convnet_options(size_t channels, size_t height, size_t width, double h) {
  invman_convnet_options o;
  memset(&o, 0, sizeof o);
  o.channels = channels;
  o.height = height;
  o.width = width;
  o.width_factor = h;
  return o;
}

static invman_convnet *make_convnet(const invman_context *ctx, const invman_convnet_options *o, uint64_t seed) {
  invman_convnet *net;
  invman_rng rng;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  if (invman_convnet_create(ctx, o, &rng, &net) < 0) exit(1);
  invman_convnet_weights(net)[invman_convnet_size(net) - 1] = 0.3; /* a bias that shows */
  return net;
}

/* ---- the network as its documentation says it, an image at a time, from a list of its own of what follows what */

typedef struct plain_image {
  size_t c, h, w;
  double *v;
} plain_image;

static double plain_swish(double z) { return 1.6768 * z / (1 + exp(-z)); }

/* The convolution of x, which is freed, with the weights at *w, which are stepped over. groups: 1 or the channels. */
static plain_image plain_convolution(plain_image x, const double **w, size_t out, size_t kernel, size_t stride,
                                     size_t groups, int act) {
  plain_image y;
  size_t in = x.c / groups, pad = kernel / 2, o, i, j, c, u, v;
  y.c = out;
  y.h = (x.h + 2 * pad - kernel) / stride + 1;
  y.w = (x.w + 2 * pad - kernel) / stride + 1;
  y.v = (double *)malloc(y.c * y.h * y.w * sizeof(double));
  for (o = 0; o < out; o++)
    for (i = 0; i < y.h; i++)
      for (j = 0; j < y.w; j++) {
        double sum = 0;
        for (c = 0; c < in; c++)
          for (u = 0; u < kernel; u++)
            for (v = 0; v < kernel; v++) {
              size_t channel = groups == 1 ? c : o, row = i * stride + u, column = j * stride + v;
              if (row < pad || row >= x.h + pad || column < pad || column >= x.w + pad) continue;
              sum += (*w)[((o * in + c) * kernel + u) * kernel + v] *
                     x.v[(channel * x.h + row - pad) * x.w + column - pad];
            }
        sum /= sqrt((double)(in * kernel * kernel));
        y.v[(o * y.h + i) * y.w + j] = act ? plain_swish(sum) : sum;
      }
  *w += out * in * kernel * kernel;
  free(x.v);
  return y;
}

static size_t plain_channels(double width) { return width < 0.75 ? 1 : (size_t)nearbyint(width); }

static double plain_convnet(const invman_convnet_options *o, const double *w, const double *pixels) {
  double h = o->width_factor, f = 0;
  size_t blocks = o->blocks ? o->blocks : 2, layers = o->layers ? o->layers : 2, i, j, k;
  plain_image x, skip;
  x.c = o->channels;
  x.h = o->height;
  x.w = o->width;
  x.v = (double *)malloc(x.c * x.h * x.w * sizeof(double));
  memcpy(x.v, pixels, x.c * x.h * x.w * sizeof(double));
  x = plain_convolution(x, &w, plain_channels(4 * h), 5, 2, 1, 1);
  x = plain_convolution(x, &w, x.c, 5, 1, x.c, 1);
  x = plain_convolution(x, &w, plain_channels(2 * h), 1, 1, 1, 1);
  for (i = 0; i < blocks; i++)
    for (j = 0; j < layers; j++) {
      skip = x;
      skip.v = (double *)malloc(x.c * x.h * x.w * sizeof(double));
      memcpy(skip.v, x.v, x.c * x.h * x.w * sizeof(double));
      x = plain_convolution(x, &w, 3 * x.c, 1, 1, 1, 1);
      x = plain_convolution(x, &w, x.c, 5, j == 0 ? 2 : 1, x.c, 1);
      x = plain_convolution(x, &w, j == 0 ? plain_channels((double)(2 * i + 1) * h) : skip.c, 1, 1, 1, 0);
      for (k = 0; j > 0 && k < x.c * x.h * x.w; k++) x.v[k] = (x.v[k] + skip.v[k]) / sqrt(2.0);
      free(skip.v);
    }
  x = plain_convolution(x, &w, plain_channels(20 * h), 1, 1, 1, 1);
  for (k = 0; k < x.c * x.h * x.w; k++) f += w[k / (x.h * x.w)] * x.v[k] / (double)(x.h * x.w);
  f = f / (double)x.c + w[x.c];
  free(x.v);
  return f;
}

/* Shapes that fill no tile: odd sides, one pixel, several channels; widths that are rounded; other depths. */
enum { CONVNET_SHAPES = 7 };
static invman_convnet_options convnet_shape(size_t k) {
  static const size_t size[CONVNET_SHAPES][3] = {{1, 28, 28}, {3, 13, 9}, {1, 1, 1}, {2, 20, 12},
                                                 {1, 5, 33},  {1, 2, 7},  {4, 3, 3}};
  static const double h[CONVNET_SHAPES] = {2, 1, 0.03, 2.5, 1, 3.3, 0.6};
  static const size_t depth[CONVNET_SHAPES][2] = {{0, 0}, {2, 2}, {1, 1}, {1, 3}, {3, 1}, {1, 2}, {4, 2}};
  invman_convnet_options o = convnet_options(size[k][0], size[k][1], size[k][2], h[k]);
  o.blocks = depth[k][0];
  o.layers = depth[k][1];
  return o;
}

static size_t convnet_pixels(const invman_convnet_options *o) { return o->channels * o->height * o->width; }

/* A network with the weights of the golden file, whose classifier has its bias first. */
static invman_convnet *golden_convnet(const char *path, const char *kind, double *values) {
  static const char *const name[] = {"conv_stem.w",
                                     "blocks.0.conv_dw.w",
                                     "blocks.0.conv_pw.w",
                                     "blocks.ir0.conv_pw.w",
                                     "blocks.ir0.conv_dw.w",
                                     "blocks.ir0.conv_pwl.w",
                                     "blocks.ir0_0.conv_pw.w",
                                     "blocks.ir0_0.conv_dw.w",
                                     "blocks.ir0_0.conv_pwl.w",
                                     "blocks.ir1.conv_pw.w",
                                     "blocks.ir1.conv_dw.w",
                                     "blocks.ir1.conv_pwl.w",
                                     "blocks.ir1_0.conv_pw.w",
                                     "blocks.ir1_0.conv_dw.w",
                                     "blocks.ir1_0.conv_pwl.w",
                                     "conv_head.w",
                                     "classifier.w",
                                     "classifier.b"};
  invman_convnet_options o = convnet_options(1, 28, 28, 2);
  invman_convnet *net = make_convnet(NULL, &o, 1);
  size_t l, at = 0;
  for (l = 0; l < 18; l++) {
    invman_convnet_layer layer;
    char key[64];
    double *v;
    size_t n = l == 16 ? 40 : 1;
    if (l < 16) {
      CHECK(invman_convnet_get_layer(net, l, &layer) == INVMAN_OK && layer.first == at);
      n = layer.weights;
    }
    snprintf(key, sizeof key, "%s:%s", kind, name[l]);
    v = golden(path, key, n);
    memcpy(values + at, v, n * sizeof(double));
    free(v);
    at += n;
  }
  CHECK(at == invman_convnet_size(net));
  return net;
}

static void convnet_golden(void) {
  const char *path = GOLDEN "convnet.txt";
  double *x = golden(path, "x", 5 * 784), *r = golden(path, "r", 5), *f = golden(path, "f", 5);
  double *all = golden(path, "ktrtr_all", 25), *last = golden(path, "ktrtr_last", 25);
  double *g = (double *)malloc(3000 * sizeof(double)), *wanted = (double *)malloc(3000 * sizeof(double));
  double out[5], K[25], size = 0;
  invman_convnet *net = golden_convnet(path, "g", wanted);
  size_t n = invman_convnet_size(net), i;
  invman_convnet_free(net);
  net = golden_convnet(path, "w", g);
  memcpy(invman_convnet_weights(net), g, n * sizeof(double));
  CHECK(invman_convnet_eval(net, x, 5, out) == INVMAN_OK);
  for (i = 0; i < 5; i++) CLOSE(out[i], f[i], 1e-12 * fabs(f[i]));
  CHECK(invman_convnet_gradient(net, x, 5, r, g) == INVMAN_OK);
  for (i = 0; i < n; i++) size = fmax(size, fabs(wanted[i]));
  CLOSE(largest_difference(g, wanted, n), 0, 1e-12 * size);
  for (i = 0; i < n; i++)
    if (fabs(wanted[i]) > 1e-3 * size) CLOSE(g[i], wanted[i], 1e-11 * fabs(wanted[i]));
  CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, 5, NULL, 0, K) == INVMAN_OK);
  for (i = 0; i < 25; i++) CLOSE(K[i], all[i], 1e-11 * fabs(all[i]));
  CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_LAST_LAYER, x, 5, NULL, 0, K) == INVMAN_OK);
  for (i = 0; i < 25; i++) CLOSE(K[i], last[i], 1e-11 * fabs(last[i]));
  invman_convnet_free(net);
  free(x), free(r), free(f), free(all), free(last), free(g), free(wanted);
}

static void convnet_layers(void) { /* the paper's network on MNIST's images */
  static const size_t side[16] = {14, 14, 14, 14, 7, 7, 7, 7, 7, 7, 4, 4, 4, 4, 4, 4};
  static const size_t out[16] = {40, 40, 20, 60, 60, 10, 30, 30, 10, 30, 30, 30, 90, 90, 30, 200};
  invman_convnet_options o = convnet_options(1, 28, 28, 0);
  invman_convnet *net = make_convnet(NULL, &o, 1);
  invman_convnet_layer layer;
  double square = 0;
  size_t l, at = 0, in = 1, k;
  CHECK(invman_convnet_size(net) == 23251 && invman_convnet_layers(net) == 16);
  for (l = 0; l < 16; l++) {
    int depthwise = l == 1 || (l > 2 && l < 15 && l % 3 == 1);
    CHECK(invman_convnet_get_layer(net, l, &layer) == INVMAN_OK);
    CHECK(layer.in == in && layer.out == out[l] && layer.height == side[l] && layer.width == side[l]);
    CHECK(layer.kind == (l == 0 ? INVMAN_CONV_DENSE : depthwise ? INVMAN_CONV_DEPTHWISE : INVMAN_CONV_POINTWISE));
    CHECK(layer.kernel == (l == 0 || depthwise ? 5 : 1) && layer.stride == (l == 0 || l == 4 || l == 10 ? 2 : 1));
    CHECK(layer.first == at && layer.weights == layer.kernel * layer.kernel * out[l] * (depthwise ? 1 : in));
    at += layer.weights;
    in = layer.out;
  }
  CHECK(at + 201 == 23251);
  CHECK(invman_convnet_get_layer(net, 16, &layer) == INVMAN_E_ARG);
  for (k = 0; k < 23250; k++) square += invman_convnet_weights(net)[k] * invman_convnet_weights(net)[k] / 23250;
  CLOSE(square, 1, 5 * sqrt(2.0 / 23250)); /* five standard deviations */
  invman_convnet_free(net);
}

static void convnet_is_the_plain_one(void) { /* every shape and width of vectors, images that fill no group */
  size_t k, bits, n, i;
  for (k = 0; k < CONVNET_SHAPES; k++) {
    invman_convnet_options o = convnet_shape(k);
    size_t d = convnet_pixels(&o);
    double *x = normals(19 * d, k), f[19], wanted[19];
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    for (bits = 128; bits <= 512; bits *= 2) {
      invman_convnet *net;
      ctx.vector_bits = (int)bits;
      net = make_convnet(&ctx, &o, k + 1);
      for (i = 0; i < 19; i++) wanted[i] = plain_convnet(&o, invman_convnet_weights(net), x + i * d);
      for (n = 1; n <= 19; n += 6) {
        CHECK(invman_convnet_eval(net, x, n, f) == INVMAN_OK);
        CLOSE(largest_difference(f, wanted, n), 0, 1e-14);
      }
      invman_convnet_free(net);
    }
    free(x);
  }
}

static void convnet_gradient_is_the_slope(void) { /* of every weight, by central differences */
  enum { N = 3 };
  const double r[N] = {0.7, -1.1, 0.4}, step = 1e-4;
  size_t k, i, j;
  for (k = 0; k < CONVNET_SHAPES; k++) {
    invman_convnet_options o = convnet_shape(k);
    invman_convnet *net = make_convnet(NULL, &o, k + 1);
    size_t size = invman_convnet_size(net), every = k == 0 ? 7 : 1;
    double *x = normals(N * convnet_pixels(&o), k), *g = (double *)malloc(size * sizeof(double)), most = 0;
    double *w = invman_convnet_weights(net);
    CHECK(invman_convnet_gradient(net, x, N, r, g) == INVMAN_OK);
    for (i = 0; i < size; i++) most = fmax(most, fabs(g[i]));
    for (i = k; i < size; i += every) {
      double kept = w[i], f[2][N], slope = 0;
      w[i] = kept + step;
      invman_convnet_eval(net, x, N, f[1]);
      w[i] = kept - step;
      invman_convnet_eval(net, x, N, f[0]);
      w[i] = kept;
      for (j = 0; j < N; j++) slope += r[j] * (f[1][j] - f[0][j]) / (2 * step);
      CLOSE(g[i], slope, 1e-7 * most + 1e-11);
    }
    free(x), free(g);
    invman_convnet_free(net);
  }
}

static void convnet_jacobian_adds_up(void) { /* rows of J, and that an image's row depends on it alone */
  enum { N = 77 };
  size_t k, i, j, bits;
  for (k = 0; k < CONVNET_SHAPES; k++) {
    invman_convnet_options o = convnet_shape(k);
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    for (bits = 128; bits <= 512; bits *= 2) {
      invman_convnet *net;
      size_t size, d = convnet_pixels(&o);
      double *x = normals(N * d, k), *r = normals(N, k + 50), *J, *g, *sum;
      ctx.vector_bits = (int)bits;
      net = make_convnet(&ctx, &o, k + 1);
      size = invman_convnet_size(net);
      J = (double *)malloc(N * size * sizeof(double));
      g = (double *)malloc(size * sizeof(double));
      sum = (double *)calloc(size, sizeof(double));
      CHECK(invman_convnet_jacobian(net, x, N, J) == INVMAN_OK);
      CHECK(invman_convnet_gradient(net, x, N, r, g) == INVMAN_OK);
      for (i = 0; i < N; i++)
        for (j = 0; j < size; j++) sum[j] += r[i] * J[i * size + j];
      CLOSE(largest_difference(g, sum, size), 0, 1e-13);
      for (i = 0; i < N; i += 19) {
        CHECK(invman_convnet_jacobian(net, x + i * d, 1, g) == INVMAN_OK && same_bits(g, J + i * size, size));
        CLOSE(J[(i + 1) * size - 1], 1, 0); /* the bias */
      }
      CHECK(invman_convnet_gradient(net, x, 0, r, g) == INVMAN_OK && g[0] == 0 && g[size - 1] == 0);
      invman_convnet_free(net);
      free(x), free(r), free(J), free(g), free(sum);
    }
  }
}

static void convnet_gram(void) { /* is J J', for every part and width of vectors; a rectangle is a part of the square */
  enum { N = 37, M = 11, A = 5 };
  size_t k, i, j, l, bits;
  int part;
  for (k = 0; k < 4; k++) {
    invman_convnet_options o = convnet_shape(k);
    size_t d = convnet_pixels(&o);
    double *x = normals(N * d, k), *K = (double *)malloc(N * N * sizeof(double)), R[M * N];
    invman_context ctx;
    memset(&ctx, 0, sizeof ctx);
    for (bits = 128; bits <= 512; bits *= 2) {
      invman_convnet *net;
      invman_convnet_layer stem, head;
      double *J;
      size_t size;
      ctx.vector_bits = (int)bits;
      net = make_convnet(&ctx, &o, k + 1);
      size = invman_convnet_size(net);
      invman_convnet_get_layer(net, 0, &stem);
      invman_convnet_get_layer(net, invman_convnet_layers(net) - 1, &head);
      J = (double *)malloc(N * size * sizeof(double));
      invman_convnet_jacobian(net, x, N, J);
      for (part = INVMAN_NTK_ALL; part <= INVMAN_NTK_HIDDEN; part++) {
        size_t first = part >= INVMAN_NTK_LAST_LAYER ? head.first + head.weights : 0;
        size_t last = part == INVMAN_NTK_FIRST_LAYER ? stem.weights : part == INVMAN_NTK_HIDDEN ? size - 1 : size;
        /* J holds mean/fan-in, the hidden layer's kernel is of mean/sqrt(fan-in). */
        double factor = part == INVMAN_NTK_HIDDEN ? (double)head.out : 1;
        CHECK(invman_convnet_ntk_gram(net, part, x, N, NULL, 0, K) == INVMAN_OK);
        for (i = 0; i < N; i++)
          for (j = 0; j < N; j++) {
            double sum = 0;
            for (l = first; l < last; l++) sum += factor * J[i * size + l] * J[j * size + l];
            CLOSE(K[i * N + j], sum, 1e-13 * sqrt(K[i * N + i] * K[j * N + j]));
            CHECK(K[i * N + j] == K[j * N + i]);
          }
        CHECK(invman_convnet_ntk_gram(net, part, x + A * d, M, x, N, R) == INVMAN_OK);
        CLOSE(largest_difference(R, K + A * N, M * N), 0, 1e-12 * K[0]);
        CHECK(invman_convnet_ntk_gram(net, part, x, N, x + A * d, M, R) == INVMAN_OK);
        for (i = 0; i < N * M; i++) CLOSE(R[i], K[i / M * N + A + i % M], 1e-12 * K[0]);
      }
      free(J);
      invman_convnet_free(net);
    }
    free(x), free(K);
  }
}

static void convnet_gram_in_blocks(void) { /* the same in little memory, and how much that is */
  enum { N = 150, M = 90 };
  static const size_t memory[] = {1, 1 << 20, 3 << 20, 8 << 20};
  invman_convnet_options o = convnet_options(1, 12, 12, 1);
  size_t d = convnet_pixels(&o), k;
  double *x = normals(N * d, 3), *z = normals(M * d, 4), *K[2], *R[2];
  for (k = 0; k < 2; k++) {
    K[k] = (double *)malloc(N * N * sizeof(double));
    R[k] = (double *)malloc(N * M * sizeof(double));
  }
  for (k = 0; k < 5; k++) {
    test_heap heap;
    invman_context ctx = test_context(&heap);
    invman_convnet *net;
    size_t own, allowed;
    o.memory = k == 0 ? 0 : memory[k - 1];
    net = make_convnet(&ctx, &o, 1);
    own = heap.now;
    CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, N, NULL, 0, K[k > 0]) == INVMAN_OK);
    CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, N, z, M, R[k > 0]) == INVMAN_OK);
    /* Beside options.memory: packed panels of the products, 2 (N + 32) 256 doubles, and the blocks' heads; at least
       the activations of a group, here below 400 kB, and sixteen gradients. */
    allowed = invman_i_max(o.memory, 400000 + 16 * 8 * invman_convnet_size(net)) + 2 * (N + 32) * 256 * 8 + 1000;
    if (k > 0) {
      CHECK(heap.peak - own <= allowed);
      CLOSE(largest_difference(K[0], K[1], N * N), 0, 1e-12 * K[0][0]);
      CLOSE(largest_difference(R[0], R[1], N * M), 0, 1e-12 * K[0][0]);
    }
    invman_convnet_free(net);
    CHECK(heap.now == 0 && heap.blocks == 0);
  }
  for (k = 0; k < 2; k++) free(K[k]), free(R[k]);
  free(x), free(z);
}

/* A parallel_for of as many threads as its user says, in turns: the first does tasks 0, k, 2k, .., after the last. */
static void in_turns(size_t tasks, void (*task)(size_t index, void *arg), void *arg, void *user) {
  size_t threads = *(size_t *)user, thread, i;
  for (thread = threads; thread-- > 0;)
    for (i = thread; i < tasks; i += threads) task(i, arg);
}

static void convnet_any_threads(void) { /* their number does not change a bit; 0: OpenMP, where there is one */
  enum { N = 300 };
  static const size_t threads[] = {0, 1, 2, 5};
  invman_convnet_options o = convnet_options(1, 12, 12, 1);
  double *x = normals(N * convnet_pixels(&o), 3), *r = normals(N, 4), *f[4], *g[4], *K[4];
  size_t size = 0, k;
  for (k = 0; k < 4; k++) {
    size_t count = threads[k];
    invman_context ctx;
    invman_convnet *net;
    memset(&ctx, 0, sizeof ctx);
    ctx.user = &count;
    if (count > 0) ctx.parallel_for = in_turns;
    net = make_convnet(&ctx, &o, 1);
    size = invman_convnet_size(net);
    f[k] = (double *)malloc(N * sizeof(double));
    g[k] = (double *)malloc(size * sizeof(double));
    K[k] = (double *)malloc(N * N * sizeof(double));
    CHECK(invman_convnet_eval(net, x, N, f[k]) == INVMAN_OK);
    CHECK(invman_convnet_gradient(net, x, N, r, g[k]) == INVMAN_OK);
    CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, N, NULL, 0, K[k]) == INVMAN_OK);
    CHECK(same_bits(f[0], f[k], N) && same_bits(g[0], g[k], size) && same_bits(K[0], K[k], N * N));
    invman_convnet_free(net);
  }
  for (k = 0; k < 4; k++) free(f[k]), free(g[k]), free(K[k]);
  free(x), free(r);
}

static void convnet_activation(void) { /* against the C library's exponential; no NaN however far from 0 */
  static const double far[] = {700, 707.9, 708.1, 745, 1e3, 1e10, 1e100, 1e307};
  const int L = 2;
  double z, slope_error = 0, error = 0;
  invman_i_lanes at, y, slope;
  int i;
  for (z = -705; z < 705; z += fabs(z) < 5 ? 0.00137 : 0.0371) {
    double s = 1 / (1 + exp(-z)), wanted = 1.6768 * z * s;
    for (i = 0; i < INVMAN_I_WIDTH; i++) at.d[i] = z;
    invman_i_swish(&at, &y, &slope, L);
    error = fmax(error, fabs(y.d[3] - wanted) / (fabs(wanted) + 1e-300));
    slope_error = fmax(slope_error, fabs(slope.d[5] - 1.6768 * s * (1 + z * (1 - s))) / (s * (1 + fabs(z))));
  }
  CLOSE(error, 0, 2e-15);
  CLOSE(slope_error, 0, 2e-15);
  for (i = 0; i < 16; i++) {
    double v = (i % 2 ? 1 : -1) * far[i / 2];
    at.d[0] = at.d[1] = at.d[2] = at.d[3] = at.d[4] = at.d[5] = at.d[6] = at.d[7] = v;
    invman_i_swish(&at, &y, &slope, L);
    CLOSE(y.d[7], v > 0 ? 1.6768 * v : 0, 1e-300 + 1e-15 * fmax(v, 0));
    CLOSE(slope.d[7], v > 0 ? 1.6768 : 0, 1e-15);
  }
}

/* A file whose checksum is right, whatever it holds. */
static void write_sealed(const char *path, unsigned char *bytes, size_t size) {
  uint64_t hash = invman_i_fnv(UINT64_C(0xcbf29ce484222325), bytes, size - 8);
  size_t k;
  for (k = 0; k < 8; k++) bytes[size - 8 + k] = (unsigned char)(hash >> 8 * k & 255);
  write_bytes(path, bytes, size);
}

static void convnet_file(void) {
  invman_convnet_options o = convnet_shape(2);
  invman_convnet *net = make_convnet(NULL, &o, 5), *back, *copy;
  invman_context ctx;
  invman_error error;
  double *x = normals(3, 1), f[2][3], K[2][9];
  size_t size, k, n = invman_convnet_size(net);
  unsigned char *bytes;
  char path[512];
  snprintf(path, sizeof path, "%s", in_test_dir("a.convnet"));
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_convnet_save(net, path) == INVMAN_OK && invman_convnet_load(NULL, path, &back) == INVMAN_OK);
  CHECK(invman_convnet_size(back) == n && invman_convnet_layers(back) == 7);
  CHECK(same_bits(invman_convnet_weights(back), invman_convnet_weights(net), n));
  CHECK(invman_convnet_copy(net, &copy) == INVMAN_OK);
  CHECK(same_bits(invman_convnet_weights(copy), invman_convnet_weights(net), n));
  invman_convnet_weights(copy)[0] += 1;
  CHECK(!same_bits(invman_convnet_weights(copy), invman_convnet_weights(net), n));
  invman_convnet_free(copy);
  for (k = 0; k < 2; k++) {
    CHECK(invman_convnet_eval(k ? back : net, x, 3, f[k]) == INVMAN_OK);
    CHECK(invman_convnet_ntk_gram(k ? back : net, INVMAN_NTK_ALL, x, 3, NULL, 0, K[k]) == INVMAN_OK);
  }
  CHECK(same_bits(f[0], f[1], 3) && same_bits(K[0], K[1], 9));
  invman_convnet_free(back);

  bytes = read_bytes(path, &size);
  CHECK(size == 16 + 7 * 8 + 8 * n + 8 && memcmp(bytes + 8, "CONV\1\0\0\0\1\0\0\0\0\0\0\0", 16) == 0);
  for (k = 0; k < size; k += k < 80 ? 1 : 13) { /* truncated anywhere, and any byte changed */
    write_bytes(in_test_dir("bad.convnet"), bytes, k);
    CHECK(invman_convnet_load(&ctx, in_test_dir("bad.convnet"), &back) == INVMAN_E_FORMAT && back == NULL);
    bytes[k] ^= 0x55;
    write_bytes(in_test_dir("bad.convnet"), bytes, size);
    CHECK(invman_convnet_load(&ctx, in_test_dir("bad.convnet"), &back) == INVMAN_E_FORMAT && back == NULL);
    bytes[k] ^= 0x55;
  }
  for (k = 0; k < 7; k++) { /* options that do not fit, with the right checksum */
    unsigned char kept[8];
    int value;
    memcpy(kept, bytes + 16 + 8 * k, 8);
    for (value = 0; value < 3 && k != 6; value++) { /* huge, not a number; small but other; NaN or none */
      memset(bytes + 16 + 8 * k, value == 0 ? 0xff : 0, 8);
      if (value == 1) bytes[16 + 8 * k] = 9;
      if (k > 2 && value == 2) continue; /* 0 is the default's name */
      write_sealed(in_test_dir("bad.convnet"), bytes, size);
      if (value == 1 && k == 3 && floats_flush) continue;
      if (value == 1 && (k == 1 || k == 2 || k == 3)) { /* the sides and a tiny h do not change the weights */
        CHECK(invman_convnet_load(&ctx, in_test_dir("bad.convnet"), &back) == INVMAN_OK);
        invman_convnet_free(back);
      } else {
        CHECK(invman_convnet_load(&ctx, in_test_dir("bad.convnet"), &back) == INVMAN_E_FORMAT && back == NULL);
      }
    }
    memcpy(bytes + 16 + 8 * k, kept, 8);
  }
  for (k = size - 8; k <= size + 8; k += 16) { /* a weight too few, or too many; read_bytes leaves room */
    write_sealed(in_test_dir("bad.convnet"), bytes, k);
    CHECK(invman_convnet_load(&ctx, in_test_dir("bad.convnet"), &back) == INVMAN_E_FORMAT && back == NULL);
  }
  {
    invman_net other = random_net(3, 2, 1), empty;
    CHECK(invman_net_save(NULL, &other, in_test_dir("a.net")) == INVMAN_OK);
    CHECK(invman_convnet_load(&ctx, in_test_dir("a.net"), &back) == INVMAN_E_FORMAT && back == NULL);
    CHECK(invman_net_load(&ctx, path, &empty) == INVMAN_E_FORMAT);
    invman_net_free(NULL, &other);
  }
  CHECK(invman_convnet_load(NULL, in_test_dir("not there"), &back) == INVMAN_E_IO);
  invman_convnet_weights(net)[3] = HUGE_VAL;
  CHECK(invman_convnet_save(net, path) == INVMAN_E_NONFINITE);
  invman_convnet_free(net);
  free(bytes), free(x);
}

static void convnet_bad_input(void) {
  invman_context ctx;
  invman_error error;
  invman_convnet_options o = convnet_options(1, 3, 2, 1);
  invman_convnet *net, *none;
  invman_rng rng;
  double x[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, r[2] = {1, 1}, f[2], K[4], *g;
  size_t k;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  invman_rng_seed(&rng, 1, 1);
  for (k = 0; k < 12; k++) {
    invman_convnet_options bad = o;
    invman_status wanted = k < 6 ? INVMAN_E_ARG : INVMAN_E_SIZE;
    if (k == 0) bad.channels = 0;
    if (k == 1) bad.height = 0;
    if (k == 2) bad.width = 0;
    if (k == 3) bad.width_factor = -1;
    if (k == 4) bad.width_factor = HUGE_VAL;
    if (k == 5) bad.width_factor = HUGE_VAL - HUGE_VAL;
    if (k == 6) bad.channels = SIZE_MAX / 2;
    if (k == 7) bad.height = bad.width = SIZE_MAX / 4;
    if (k == 8) bad.width_factor = 1e300;
    if (k == 9) bad.width_factor = 1e10;
    if (k == 10) bad.blocks = SIZE_MAX / 4, bad.layers = 9;
    if (k == 11) bad.height = SIZE_MAX;
    none = (invman_convnet *)&bad;
    CHECK(invman_convnet_create(&ctx, &bad, &rng, &none) == wanted && none == NULL);
  }
  CHECK(invman_convnet_create(&ctx, NULL, &rng, &none) == INVMAN_E_ARG && none == NULL);
  CHECK(invman_convnet_create(&ctx, &o, NULL, &none) == INVMAN_E_ARG);
  CHECK(invman_convnet_create(&ctx, &o, &rng, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_create(&ctx, &o, &rng, &net) == INVMAN_OK);
  g = (double *)malloc(2 * invman_convnet_size(net) * sizeof(double));

  CHECK(invman_convnet_size(NULL) == 0 && invman_convnet_layers(NULL) == 0 && !invman_convnet_weights(NULL));
  CHECK(invman_convnet_get_layer(NULL, 0, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_eval(NULL, x, 2, f) == INVMAN_E_ARG && invman_convnet_eval(net, NULL, 2, f) == INVMAN_E_ARG);
  CHECK(invman_convnet_eval(net, x, 2, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_gradient(NULL, x, 2, r, g) == INVMAN_E_ARG);
  CHECK(invman_convnet_gradient(net, x, 2, NULL, g) == INVMAN_E_ARG);
  CHECK(invman_convnet_gradient(net, x, 2, r, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_jacobian(NULL, x, 2, g) == INVMAN_E_ARG);
  CHECK(invman_convnet_jacobian(net, x, 2, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_ntk_gram(NULL, 0, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 2, NULL, 0, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_ntk_gram(net, -1, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_convnet_ntk_gram(net, 4, x, 2, NULL, 0, K) == INVMAN_E_ARG);
  CHECK(invman_convnet_copy(NULL, &none) == INVMAN_E_ARG && none == NULL);
  CHECK(invman_convnet_copy(net, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_save(NULL, "x") == INVMAN_E_ARG && invman_convnet_save(net, NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_load(&ctx, "x", NULL) == INVMAN_E_ARG);
  CHECK(invman_convnet_eval(net, x, SIZE_MAX / 4, f) == INVMAN_E_SIZE);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 2, x, SIZE_MAX / 4, K) == INVMAN_E_SIZE);
  CHECK(invman_convnet_eval(net, x, 0, f) == INVMAN_OK && invman_convnet_jacobian(net, x, 0, g) == INVMAN_OK);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 0, NULL, 0, K) == INVMAN_OK);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 2, x, 0, K) == INVMAN_OK);

  r[1] = HUGE_VAL;
  CHECK(invman_convnet_gradient(net, x, 2, r, g) == INVMAN_E_NONFINITE && error.place == 1);
  x[7] = HUGE_VAL;
  CHECK(invman_convnet_eval(net, x, 2, f) == INVMAN_E_NONFINITE && error.place == 7);
  CHECK(invman_convnet_jacobian(net, x, 2, g) == INVMAN_E_NONFINITE && error.place == 7);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 2, NULL, 0, K) == INVMAN_E_NONFINITE && error.place == 7);
  CHECK(invman_convnet_ntk_gram(net, 0, x, 1, x + 6, 1, K) == INVMAN_E_NONFINITE && error.place == 1);
  CHECK(invman_convnet_eval(net, x, 1, f) == INVMAN_OK);
  invman_convnet_weights(net)[11] = HUGE_VAL - HUGE_VAL;
  CHECK(invman_convnet_eval(net, x, 1, f) == INVMAN_E_NONFINITE && error.place == 11);
  invman_convnet_free(net);
  invman_convnet_free(NULL);
  free(g);
}

static int stop_at_once(const char *stage, double done, void *user) {
  (void)user;
  return strcmp(stage, "convnet_ntk_gram") == 0 && done >= 0 && done < 1;
}

static void convnet_gram_can_be_stopped(void) {
  invman_convnet_options o = convnet_options(1, 3, 2, 1);
  invman_context ctx;
  invman_convnet *net;
  double *x = normals(50 * 6, 1), *K = (double *)malloc(50 * 50 * sizeof(double));
  memset(&ctx, 0, sizeof ctx);
  ctx.progress = stop_at_once;
  o.memory = 1;
  net = make_convnet(&ctx, &o, 1);
  CHECK(invman_convnet_ntk_gram(net, INVMAN_NTK_ALL, x, 50, NULL, 0, K) == INVMAN_STOPPED);
  invman_convnet_free(net);
  free(x), free(K);
}

static void convnet_tests(void) {
  RUN(convnet_golden);
  RUN(convnet_layers);
  RUN(convnet_activation);
  RUN(convnet_is_the_plain_one);
  RUN(convnet_gradient_is_the_slope);
  RUN(convnet_jacobian_adds_up);
  RUN(convnet_gram);
  RUN(convnet_gram_in_blocks);
  RUN(convnet_gram_can_be_stopped);
  RUN(convnet_any_threads);
  RUN(convnet_file);
  RUN(convnet_bad_input);
}
