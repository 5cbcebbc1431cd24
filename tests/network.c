/* The network: golden values, a plain reference, finite differences, symmetries, files. */

/* Eq. (1) and its gradient as they are written, neuron by neuron. */
static double plain_eval(const invman_net *net, const double *x) {
  double sum = 0;
  size_t n, k;
  for (n = 0; n < net->h; n++) {
    double z = net->b[n];
    for (k = 0; k < net->d; k++) z += net->w[n * net->d + k] * x[k] / sqrt((double)net->d);
    if (z > 0) sum += net->beta[n] * sqrt(2.0) * z;
  }
  return sum / (double)net->h;
}

static void plain_gradient(const invman_net *net, const double *x, size_t points, const double *r, invman_net *grad) {
  size_t i, n, k, d = net->d;
  memset(grad->w, 0, net->h * d * sizeof(double));
  memset(grad->b, 0, net->h * sizeof(double));
  memset(grad->beta, 0, net->h * sizeof(double));
  for (i = 0; i < points; i++)
    for (n = 0; n < net->h; n++) {
      double z = net->b[n], f = r[i] * sqrt(2.0) / (double)net->h;
      for (k = 0; k < d; k++) z += net->w[n * d + k] * x[i * d + k] / sqrt((double)d);
      if (z <= 0) continue;
      grad->beta[n] += f * z;
      grad->b[n] += f * net->beta[n];
      for (k = 0; k < d; k++) grad->w[n * d + k] += f * net->beta[n] * x[i * d + k] / sqrt((double)d);
    }
}

static invman_net random_net(size_t h, size_t d, uint64_t seed) {
  invman_net net;
  invman_rng rng;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  if (invman_net_init(NULL, h, d, &rng, &net) < 0) exit(1);
  return net;
}

static void network_golden(void) {
  const char *path = GOLDEN "fc.txt";
  double *x = golden(path, "x", 60), *r = golden(path, "r", 12), *f = golden(path, "f", 12), out[12];
  double *gw = golden(path, "grad_w", 320), *gb = golden(path, "grad_b", 64), *gbeta = golden(path, "grad_beta", 64);
  double *theta = golden(path, "ktrtr_all", 144);
  invman_net net, grad, one[2];
  size_t i, j, k;
  net.h = 64;
  net.d = 5;
  net.w = golden(path, "w", 320);
  net.b = golden(path, "b", 64);
  net.beta = golden(path, "beta", 64);
  memset(&grad, 0, sizeof grad);
  CHECK(invman_net_eval(NULL, &net, x, 12, out) == INVMAN_OK);
  for (i = 0; i < 12; i++) CLOSE(out[i], f[i], 1e-12 * fmax(1, fabs(f[i])));
  CHECK(invman_net_gradient(NULL, &net, x, 12, r, &grad) == INVMAN_OK);
  CHECK(grad.h == 64 && grad.d == 5);
  CLOSE(largest_difference(grad.w, gw, 320), 0, 1e-13);
  CLOSE(largest_difference(grad.b, gb, 64), 0, 1e-13);
  CLOSE(largest_difference(grad.beta, gbeta, 64), 0, 1e-13);

  /* Theta(x,x') = df/dW(x) . df/dW(x'), by gradients of single points. */
  memset(one, 0, sizeof one);
  for (i = 0; i < 4; i++)
    for (j = 0; j <= i; j++) {
      double unit = 1, sum = 0;
      invman_net_gradient(NULL, &net, x + 5 * i, 1, &unit, &one[0]);
      invman_net_gradient(NULL, &net, x + 5 * j, 1, &unit, &one[1]);
      for (k = 0; k < 320; k++) sum += one[0].w[k] * one[1].w[k];
      for (k = 0; k < 64; k++) sum += one[0].b[k] * one[1].b[k] + one[0].beta[k] * one[1].beta[k];
      CLOSE(sum, theta[12 * i + j], 1e-12 * fabs(theta[12 * i + i]));
    }
  invman_net_free(NULL, &one[0]);
  invman_net_free(NULL, &one[1]);
  invman_net_free(NULL, &grad);
  free(net.w), free(net.b), free(net.beta), free(x), free(r), free(f), free(gw), free(gb), free(gbeta), free(theta);
}

static void network_is_the_plain_one(void) { /* all vector widths, sizes around their multiples */
  static const size_t hs[] = {1, 7, 8, 9, 31, 33, 130}, ds[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 33};
  static const size_t ns[] = {1, 3, 4, 5, 67, 300};
  static const int bits[] = {0, 512, 256, 128};
  size_t a, b, c, k;
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  for (a = 0; a < 7; a++)
    for (b = 0; b < 11; b++)
      for (c = 0; c < 6; c++)
        for (k = 0; k < 4; k++) {
          size_t h = hs[a], d = ds[b], n = ns[c], i;
          invman_net net = random_net(h, d, 1), grad, plain;
          double *x = normals(n * d, 2), *r = normals(n, 3), *f = normals(n, 4), scale = 1e-14 * (double)(n + d + 8);
          memset(&grad, 0, sizeof grad);
          memset(&plain, 0, sizeof plain);
          ctx.vector_bits = bits[k];
          invman_net_copy(NULL, &net, &plain);
          plain_gradient(&net, x, n, r, &plain);
          CHECK(invman_net_eval(&ctx, &net, x, n, f) == INVMAN_OK);
          CHECK(invman_net_gradient(&ctx, &net, x, n, r, &grad) == INVMAN_OK);
          for (i = 0; i < n; i++) CLOSE(f[i], plain_eval(&net, x + i * d), scale);
          CLOSE(largest_difference(grad.w, plain.w, h * d), 0, scale);
          CLOSE(largest_difference(grad.b, plain.b, h), 0, scale);
          CLOSE(largest_difference(grad.beta, plain.beta, h), 0, scale);
          invman_net_free(NULL, &net);
          invman_net_free(NULL, &grad);
          invman_net_free(NULL, &plain);
          free(x), free(r), free(f);
        }
}

static void network_many_points(void) { /* more than are summed at a time */
  size_t n = 10000, i;
  invman_net net = random_net(40, 3, 5);
  double *x = normals(3 * n, 6), *f = normals(n, 7);
  CHECK(invman_net_eval(NULL, &net, x, n, f) == INVMAN_OK);
  for (i = 0; i < n; i++) CLOSE(f[i], plain_eval(&net, x + 3 * i), 1e-14);
  invman_net_free(NULL, &net);
  free(x), free(f);
}

static void network_gradient_is_the_slope(void) { /* central differences: error O(step^2), but for kinks crossed */
  size_t h = 20, d = 4, n = 10, k, i;
  invman_net net = random_net(h, d, 8), grad;
  double *x = normals(n * d, 9), *r = normals(n, 10), f[10], step = 1e-6, *weights[3];
  const double *slopes[3];
  size_t counts[3], part;
  memset(&grad, 0, sizeof grad);
  invman_net_gradient(NULL, &net, x, n, r, &grad);
  weights[0] = net.w, weights[1] = net.b, weights[2] = net.beta;
  slopes[0] = grad.w, slopes[1] = grad.b, slopes[2] = grad.beta;
  counts[0] = h * d, counts[1] = counts[2] = h;
  for (part = 0; part < 3; part++)
    for (k = 0; k < counts[part]; k++) {
      double was = weights[part][k], slope = 0;
      weights[part][k] = was + step;
      invman_net_eval(NULL, &net, x, n, f);
      for (i = 0; i < n; i++) slope += r[i] * f[i] / (2 * step);
      weights[part][k] = was - step;
      invman_net_eval(NULL, &net, x, n, f);
      for (i = 0; i < n; i++) slope -= r[i] * f[i] / (2 * step);
      weights[part][k] = was;
      CLOSE(slopes[part][k], slope, 1e-8);
    }
  invman_net_free(NULL, &net);
  invman_net_free(NULL, &grad);
  free(x), free(r);
}

static void network_symmetries(void) {
  size_t h = 30, d = 6, n = 12, i, k;
  invman_net net = random_net(h, d, 11), other;
  double *x = normals(n * d, 12), f[12], g[12], c = cos(0.7), s = sin(0.7);
  invman_net_eval(NULL, &net, x, n, f);

  invman_net_copy(NULL, &net, &other); /* f(cW) = c^2 f(W) */
  for (k = 0; k < h * d; k++) other.w[k] *= 3;
  for (k = 0; k < h; k++) other.b[k] *= 3, other.beta[k] *= 3;
  invman_net_eval(NULL, &other, x, n, g);
  for (i = 0; i < n; i++) CLOSE(g[i], 9 * f[i], 1e-13 * fabs(9 * f[i]) + 1e-14);
  invman_net_free(NULL, &other);

  invman_net_copy(NULL, &net, &other); /* the neurons in reverse */
  for (i = 0; i < h; i++) {
    memcpy(other.w + i * d, net.w + (h - 1 - i) * d, d * sizeof(double));
    other.b[i] = net.b[h - 1 - i];
    other.beta[i] = net.beta[h - 1 - i];
  }
  invman_net_eval(NULL, &other, x, n, g);
  CLOSE(largest_difference(f, g, n), 0, 1e-14);
  invman_net_free(NULL, &other);

  invman_net_copy(NULL, &net, &other); /* inputs compressed by 4 = weights compressed by 4 */
  for (i = 0; i < h; i++)
    for (k = 1; k < d; k++) other.w[i * d + k] /= 4;
  invman_net_eval(NULL, &other, x, n, f);
  for (i = 0; i < n; i++)
    for (k = 1; k < d; k++) x[i * d + k] /= 4;
  invman_net_eval(NULL, &net, x, n, g);
  CHECK(same_bits(f, g, n));
  invman_net_free(NULL, &other);

  invman_net_eval(NULL, &net, x, n, f); /* inputs and first layer turned in a plane */
  for (i = 0; i < n + h; i++) {
    double *v = i < n ? x + i * d : net.w + (i - n) * d, a = v[1], b = v[4];
    v[1] = c * a - s * b;
    v[4] = s * a + c * b;
  }
  invman_net_eval(NULL, &net, x, n, g);
  CLOSE(largest_difference(f, g, n), 0, 1e-14);
  invman_net_free(NULL, &net);
  free(x);
}

static void network_init_is_nested(void) {
  invman_net small = random_net(5, 3, 13), large = random_net(400, 3, 13), copy;
  double square = 0;
  size_t k;
  CHECK(same_bits(small.w, large.w, 15) && same_bits(small.b, large.b, 5) && same_bits(small.beta, large.beta, 5));
  for (k = 0; k < 1200; k++) square += large.w[k] * large.w[k] / 1200;
  CLOSE(square, 1, 5 * sqrt(2.0 / 1200)); /* five standard deviations */
  CHECK(invman_net_copy(NULL, &large, &copy) == INVMAN_OK && same_net(&large, &copy) && copy.w != large.w);
  invman_net_free(NULL, &small);
  invman_net_free(NULL, &large);
  invman_net_free(NULL, &copy);
  CHECK(copy.w == NULL && copy.h == 0);
}

static void network_amplification(void) {
  /* Two neurons, d = 3: with d_par = 1, Lambda^2 = 2 (1 + 4)/(4 + 9 + 1 + 0); with 2, 1/2 (1 + 4 + 4 + 1)/9. */
  double w[6] = {1, 2, 3, -2, 1, 0}, b[2] = {0.5, -3}, beta[2] = {1, 1}, z[6];
  invman_net net, many = random_net(20000, 5, 14);
  size_t n, k;
  net.h = 2, net.d = 3, net.w = w, net.b = b, net.beta = beta;
  CLOSE(invman_amplification(&net, 1), sqrt(2 * 5.0 / 14), 1e-15);
  CLOSE(invman_amplification(&net, 2), sqrt(0.5 * 10.0 / 9), 1e-15);
  CHECK(invman_amplification(&net, 3) == 0 && invman_amplification(&net, 0) == 0);
  /* At init Lambda^2 is a ratio of mean squares of 2e4 and 8e4 normals: sd of Lambda 0.5 sqrt(2/2e4 + 2/8e4). */
  CLOSE(invman_amplification(&many, 1), 1, 5 * 0.5 * sqrt(2 / 2e4 + 2 / 8e4));
  invman_neuron_vectors(&net, z);
  for (n = 0; n < 2; n++) { /* on the neuron's hyperplane, along omega */
    double at = b[n], cross = 0;
    for (k = 0; k < 3; k++) at += w[3 * n + k] * z[3 * n + k] / sqrt(3.0);
    for (k = 0; k < 3; k++) cross += fabs(z[3 * n + k] * w[3 * n] - z[3 * n] * w[3 * n + k]);
    CLOSE(at, 0, 1e-15);
    CLOSE(cross, 0, 1e-14);
  }
  memset(w, 0, sizeof w);
  invman_neuron_vectors(&net, z);
  CHECK(!invman_i_isfinite(z[0]));
  invman_net_free(NULL, &many);
}

static void network_file(void) {
  invman_net net = random_net(3, 2, 15), back;
  invman_context ctx;
  invman_error error;
  unsigned char *bytes;
  size_t size, k;
  char path[512];
  snprintf(path, sizeof path, "%s", in_test_dir("a.net"));
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  CHECK(invman_net_save(NULL, &net, path) == INVMAN_OK);
  CHECK(left_beside(path) == 0);
  CHECK(invman_net_load(NULL, path, &back) == INVMAN_OK && same_net(&net, &back));
  invman_net_free(NULL, &back);

  /* The bytes are what the documentation says, on every machine. */
  bytes = read_bytes(path, &size);
  CHECK(size == 8 + 4 + 4 + 16 + 8 * (3 * 2 + 6) + 8);
  CHECK(memcmp(bytes, "\x89INV\r\n\x1a\nNET \1\0\0\0\3\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 32) == 0);
  {
    double first = 0;
    uint64_t bits = 0;
    for (k = 0; k < 8; k++) bits |= (uint64_t)bytes[32 + k] << 8 * k;
    memcpy(&first, &bits, 8);
    CHECK(first == net.w[0]);
  }

  for (k = 0; k < size; k++) { /* truncated anywhere, and any byte changed */
    write_bytes(in_test_dir("bad.net"), bytes, k);
    CHECK(invman_net_load(&ctx, in_test_dir("bad.net"), &back) == INVMAN_E_FORMAT && back.w == NULL);
    CHECK(strcmp(error.unit, "byte") == 0 && error.place <= k);
    bytes[k] ^= 0x55;
    write_bytes(in_test_dir("bad.net"), bytes, size);
    CHECK(invman_net_load(&ctx, in_test_dir("bad.net"), &back) == INVMAN_E_FORMAT && back.w == NULL);
    bytes[k] ^= 0x55;
  }
  memset(bytes + 16, 0xff, 16); /* h and d beyond all memory, with the right checksum */
  {
    uint64_t hash = invman_i_fnv(UINT64_C(0xcbf29ce484222325), bytes, size - 8);
    for (k = 0; k < 8; k++) bytes[size - 8 + k] = (unsigned char)(hash >> 8 * k & 255);
  }
  write_bytes(in_test_dir("bad.net"), bytes, size);
  CHECK(invman_net_load(&ctx, in_test_dir("bad.net"), &back) == INVMAN_E_FORMAT);

  CHECK(invman_net_save(NULL, &net, in_test_dir("no such directory/a.net")) == INVMAN_E_IO);
  CHECK(invman_net_save(NULL, &net, test_dir) == INVMAN_E_IO && left_beside(test_dir) == 0); /* a directory's name */
  CHECK(invman_net_save(NULL, &net, "") == INVMAN_E_ARG && invman_net_save(NULL, &net, NULL) == INVMAN_E_ARG);
  CHECK(invman_net_load(NULL, in_test_dir("not there"), &back) == INVMAN_E_IO);
  net.w[3] = HUGE_VAL;
  CHECK(invman_net_save(&ctx, &net, path) == INVMAN_E_NONFINITE && error.place == 3);
  CHECK(invman_net_load(NULL, path, &back) == INVMAN_OK); /* the old one */
  invman_net_free(NULL, &back);
  invman_net_free(NULL, &net);
  free(bytes);
}

static void network_tests(void) {
  RUN(network_golden);
  RUN(network_is_the_plain_one);
  RUN(network_many_points);
  RUN(network_gradient_is_the_slope);
  RUN(network_symmetries);
  RUN(network_init_is_nested);
  RUN(network_amplification);
  RUN(network_file);
}
