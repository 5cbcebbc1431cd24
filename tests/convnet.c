/* The convolutional network: golden values, a plain reference, finite differences, Gram matrices, threads, files. */

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
  invman_convnet_options o;
  invman_convnet *net;
  invman_rng rng;
  size_t l, at = 0;
  memset(&o, 0, sizeof o);
  o.channels = 1;
  o.height = o.width = 28;
  o.width_factor = 2;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  if (invman_convnet_create(NULL, &o, &rng, &net) < 0) exit(1);
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

static void convnet_tests(void) { RUN(convnet_golden); }
