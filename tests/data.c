/* Data: the models against their definition, the file readers against files written here. */

static invman_data sample_model(invman_data_model model, size_t n, uint64_t seed) {
  invman_data data;
  invman_rng rng;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &model, n, &rng, &data) < 0) {
    CHECK(!"sampled");
    exit(1);
  }
  return data;
}

static invman_data_model a_model(int kind, size_t d) {
  invman_data_model m;
  memset(&m, 0, sizeof m);
  m.kind = kind;
  m.d = d;
  return m;
}

static double share_of_plus(const invman_data *data) {
  double plus = 0;
  size_t i;
  for (i = 0; i < data->n; i++) plus += data->y[i] > 0;
  return plus / (double)data->n;
}

static void data_stripe(void) {
  static const double wall[4] = {-1, -0.25, 0.5, 2};
  invman_data_model m = a_model(INVMAN_STRIPE, 4);
  invman_data data = sample_model(m, 100000, 1);
  size_t i, k;
  for (i = 0; i < data.n; i++) {
    double x = data.x[4 * i];
    CHECK(data.y[i] == (x > -0.3 && x < 1.18549233272327254 ? -1 : 1));
  }
  CLOSE(share_of_plus(&data), 0.5, 5 * 0.5 / sqrt(1e5)); /* five standard deviations */
  invman_data_free(NULL, &data);

  m.interfaces = wall;
  m.interface_count = 4;
  data = sample_model(m, 1000, 1);
  for (i = 0; i < data.n; i++) {
    double y = 1;
    for (k = 0; k < 4; k++)
      if (data.x[4 * i] > wall[k]) y = -y;
    CHECK(data.y[i] == y);
  }
  invman_data_free(NULL, &data);
}

static void data_cylinder(void) {
  /* the median of chi with k degrees of freedom, scipy.stats.chi.median */
  static const double radius[13] = {0,
                                    0.67448975019608115,
                                    1.1774100225154749,
                                    1.5381722544550522,
                                    1.8321282651695876,
                                    2.0860153861118875,
                                    2.3126004037548551,
                                    2.5190893583836034,
                                    2.7100039663627422,
                                    2.888396214554533,
                                    3.0564387390543213,
                                    3.2157422276034233,
                                    3.3675395138623303};
  size_t d_par, i, k;
  for (d_par = 1; d_par <= 12; d_par++) CLOSE(invman_equiprobable_radius(d_par), radius[d_par], 3e-15 * radius[d_par]);
  for (d_par = 1; d_par <= 5; d_par++) {
    invman_data_model m = a_model(INVMAN_CYLINDER, 5);
    invman_data data;
    m.d_par = d_par;
    data = sample_model(m, 20000, 2);
    CLOSE(share_of_plus(&data), 0.5, 5 * 0.5 / sqrt(2e4));
    for (i = 0; i < 100; i++) {
      double square = 0;
      for (k = 0; k < d_par; k++) square += data.x[5 * i + k] * data.x[5 * i + k];
      CHECK(data.y[i] == (square > radius[d_par] * radius[d_par] ? 1 : -1));
    }
    invman_data_free(NULL, &data);
  }
}

static int quadrant_user;
static double quadrant(const double *x, size_t d_par, void *user) {
  CHECK(d_par == 2 && user == &quadrant_user);
  return 100 * x[0] * x[1];
}

static void data_custom_labels(void) {
  invman_data_model m = a_model(INVMAN_CUSTOM, 3);
  invman_data data;
  size_t i;
  m.d_par = 2;
  m.label = quadrant;
  m.user = &quadrant_user;
  data = sample_model(m, 500, 3);
  for (i = 0; i < data.n; i++) CHECK(data.y[i] == (data.x[3 * i] * data.x[3 * i + 1] > 0 ? 1 : -1));
  invman_data_free(NULL, &data);
}

static void data_compression(void) {
  invman_data_model m = a_model(INVMAN_CYLINDER, 4);
  invman_data plain = sample_model(m, 200, 4), narrow;
  size_t i, k;
  m.compression = 8;
  narrow = sample_model(m, 200, 4);
  for (i = 0; i < 200; i++) {
    CHECK(plain.y[i] == narrow.y[i]);
    for (k = 0; k < 4; k++) CHECK(narrow.x[4 * i + k] == plain.x[4 * i + k] / (k < 2 ? 1 : 8));
  }
  invman_data_free(NULL, &plain);
  invman_data_free(NULL, &narrow);
}

static void data_sets_are_nested(void) {
  invman_data_model m = a_model(INVMAN_STRIPE, 7);
  invman_data small = sample_model(m, 33, 5), large = sample_model(m, 500, 5);
  CHECK(same_bits(small.x, large.x, 33 * 7) && same_bits(small.y, large.y, 33));
  invman_data_free(NULL, &small);
  invman_data_free(NULL, &large);
}

static void data_shuffle_permutes(void) {
  double x[20], y[20], seen[10] = {0}, moved = 0;
  invman_data data;
  invman_rng rng;
  size_t i;
  data.n = 10;
  data.d = 2;
  data.x = x;
  data.y = y;
  for (i = 0; i < 10; i++) {
    x[2 * i] = (double)i;
    x[2 * i + 1] = -(double)i;
    y[i] = i % 3 ? 1 : -1;
  }
  invman_rng_seed(&rng, 1, 1);
  invman_data_shuffle(&data, &rng);
  for (i = 0; i < 10; i++) {
    size_t was = (size_t)x[2 * i];
    CHECK(x[2 * i + 1] == -x[2 * i] && y[i] == (was % 3 ? 1 : -1));
    seen[was]++;
    moved += was != i;
  }
  for (i = 0; i < 10; i++) CHECK(seen[i] == 1);
  CHECK(moved > 3);
}

/* ---- CSV */

static invman_error last_error;

static invman_status read_csv(const char *text, size_t n, invman_data *data) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(&last_error, 0, sizeof last_error);
  ctx.error = &last_error;
  write_bytes(in_test_dir("points.csv"), text, n);
  return invman_data_read_csv(&ctx, in_test_dir("points.csv"), data);
}

static void data_csv_reads(void) {
  static const char *const same[] = {
      "1.5,-2,1\n3e2,0.25,-1\n",
      "1.5;-2;+1\r\n3e2;.25;-1",
      "x1\tx2\tlabel\n\n1.5\t-2\t1.0\n# in between\n   \n300\t0.25\t-1\n",
      "\xef\xbb\xbf 1.5 -2 1\n   300   0.25   -1  \n",
      "# a comment\nfirst, second, y\n1.5 , -2 , 1\n300, 2.5e-1, -1.000\n",
  };
  static const double x[4] = {1.5, -2, 300, 0.25}, y[2] = {1, -1};
  size_t i;
  for (i = 0; i < sizeof same / sizeof same[0]; i++) {
    invman_data data;
    CHECK(read_csv(same[i], strlen(same[i]), &data) == INVMAN_OK);
    CHECK(data.n == 2 && data.d == 2);
    if (data.n == 2 && data.d == 2) CHECK(same_bits(data.x, x, 4) && same_bits(data.y, y, 2));
    invman_data_free(NULL, &data);
  }
}

static void data_csv_refuses(void) {
  static const struct {
    const char *text;
    invman_status status;
    size_t line;
  } bad[] = {
      {"", INVMAN_E_FORMAT, 1},
      {"# nothing\n\n", INVMAN_E_FORMAT, 3},
      {"a,b,c\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,2,0\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,2,-2\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n\n1,1\n", INVMAN_E_FORMAT, 3},
      {"1,2,1\n1,2,3,1\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,x,1\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,2x,1\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,,1\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\n1,2,1,\n", INVMAN_E_FORMAT, 2},
      {"1,2,1\nx,2,1\n", INVMAN_E_FORMAT, 2},
      {"a,b\nc,d\n", INVMAN_E_FORMAT, 2},
      {"1\n-1\n", INVMAN_E_FORMAT, 1},
      {",x,y\n1,2,1\n,2,1\n", INVMAN_E_FORMAT, 3},
      {"1,2,1\nnan,2,1\n", INVMAN_E_NONFINITE, 2},
      {"1,inf,1\n", INVMAN_E_NONFINITE, 1},
      {"1,1e999,1\n", INVMAN_E_NONFINITE, 1},
  };
  size_t i;
  invman_data data;
  char *wide = (char *)malloc(4096);
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    CHECK(read_csv(bad[i].text, strlen(bad[i].text), &data) == bad[i].status);
    CHECK(data.n == 0 && data.x == NULL && data.y == NULL);
    CHECK(last_error.what && strcmp(last_error.unit, "line") == 0);
    if (last_error.place != bad[i].line)
      test_fail(__FILE__, __LINE__, "file %lu: line %lu", (unsigned long)i, (unsigned long)last_error.place);
  }
  memset(wide, '7', 4096);
  CHECK(read_csv(wide, 4096, &data) == INVMAN_E_FORMAT);
  memset(wide, 0, 4096);
  CHECK(read_csv(wide, 4096, &data) == INVMAN_E_FORMAT);
  free(wide);
  CHECK(invman_data_read_csv(NULL, in_test_dir("not there"), &data) == INVMAN_E_IO);
  CHECK(invman_data_read_csv(NULL, test_dir, &data) == INVMAN_E_IO);
  CHECK(invman_data_read_csv(NULL, NULL, &data) == INVMAN_E_ARG);
}

static void data_csv_in_another_locale(void) { /* where the decimal point is a comma */
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE", "German"};
  invman_data data;
  size_t i;
  for (i = 0; i < 5 && !setlocale(LC_NUMERIC, names[i]); i++) {}
  if (i == 5) {
    test_skip("no locale with a decimal comma is installed");
    return;
  }
  CHECK(read_csv("1.5;2.25;1\n", 11, &data) == INVMAN_OK);
  CHECK(data.x && data.x[0] == 1.5 && data.x[1] == 2.25);
  invman_data_free(NULL, &data);
  setlocale(LC_NUMERIC, "C");
}

/* ---- IDX */

/* Images of 2 x 3 pixels. */
static size_t make_idx(unsigned char *images, unsigned char *labels, size_t n) {
  static const unsigned char image_head[16] = {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3};
  static const unsigned char label_head[8] = {0, 0, 8, 1, 0, 0, 0, 0};
  size_t i;
  memcpy(images, image_head, 16);
  memcpy(labels, label_head, 8);
  images[7] = labels[7] = (unsigned char)n;
  for (i = 0; i < 6 * n; i++) images[16 + i] = (unsigned char)(i * i * 31 % 256);
  for (i = 0; i < n; i++) labels[8 + i] = (unsigned char)(i * 7 % 10);
  return 16 + 6 * n;
}

static invman_status read_idx(const unsigned char *images, size_t image_size, const unsigned char *labels,
                              size_t label_size, const invman_idx_options *options, invman_data *data) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(&last_error, 0, sizeof last_error);
  ctx.error = &last_error;
  write_bytes(in_test_dir("images"), images, image_size);
  write_bytes(in_test_dir("labels"), labels, label_size);
  return invman_data_read_idx(&ctx, in_test_dir("images"), in_test_dir("labels"), options, data);
}

static int zero_or_one(int digit, void *user) {
  (void)user;
  return digit == 0 ? -1 : digit == 1 ? 1 : 0;
}
static int wrong_rule(int digit, void *user) {
  (void)user;
  return digit;
}

static int first_five(int digit, void *user) { /* a rule with a memory */
  size_t *seen = (size_t *)user;
  return digit % 2 == 0 && ++*seen <= 5 ? 1 : 0;
}

static void data_idx_reads(void) {
  unsigned char images[256], labels[64];
  size_t n = 30, size = make_idx(images, labels, n), i, k, shape[3];
  invman_idx_options o;
  invman_data data;
  memset(&o, 0, sizeof o);

  CHECK(read_idx(images, size, labels, 8 + n, NULL, &data) == INVMAN_OK);
  CHECK(data.n == n && data.d == 6);
  for (i = 0; i < n; i++) {
    CHECK(data.y[i] == (i * 7 % 2 ? -1 : 1));
    for (k = 0; k < 6; k++) CHECK(data.x[6 * i + k] == images[16 + 6 * i + k] / 255.0);
  }
  invman_data_free(NULL, &data);

  o.centre = 1;
  o.limit = 20;
  o.shape = shape;
  CHECK(read_idx(images, size, labels, 8 + n, &o, &data) == INVMAN_OK);
  CHECK(data.n == 20 && shape[0] == 1 && shape[1] == 2 && shape[2] == 3);
  for (i = 0; i < 20; i++) { /* each image is what is left of it beside the mean, at norm sqrt(6) */
    double left[6], norm = 0;
    for (k = 0; k < 6; k++) {
      double mean = 0;
      size_t j;
      for (j = 0; j < 20; j++) mean += images[16 + 6 * j + k] / 255.0 / 20;
      left[k] = images[16 + 6 * i + k] / 255.0 - mean;
      norm += left[k] * left[k];
    }
    for (k = 0; k < 6; k++) CLOSE(data.x[6 * i + k], left[k] * sqrt(6 / norm), 1e-13);
  }
  invman_data_free(NULL, &data);

  memset(&o, 0, sizeof o);
  o.label = first_five;
  o.user = &i;
  i = 0;
  CHECK(read_idx(images, size, labels, 8 + n, &o, &data) == INVMAN_OK && data.n == 5);
  invman_data_free(NULL, &data);

  memset(&o, 0, sizeof o);
  o.label = zero_or_one;
  CHECK(read_idx(images, size, labels, 8 + n, &o, &data) == INVMAN_OK);
  CHECK(data.n == 6); /* digits 0 and 1 are 3 of 30 each */
  for (i = 0; i < data.n; i++)
    CHECK(data.y[i] == (i % 2 ? 1 : -1) && data.x[6 * i] == images[16 + 6 * (i / 2 * 10 + i % 2 * 3)] / 255.0);
  invman_data_free(NULL, &data);
}

static void data_idx_refuses(void) {
  unsigned char images[256] = {0}, labels[64] = {0}, bad[256];
  size_t n = 20, size = make_idx(images, labels, n), cut;
  invman_idx_options o;
  invman_data data;
  memset(&o, 0, sizeof o);
  for (cut = 0; cut < size; cut++) { /* truncated anywhere */
    CHECK(read_idx(images, cut, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && data.x == NULL);
    CHECK(strncmp(last_error.what, "images", 6) == 0 && strcmp(last_error.unit, "byte") == 0 &&
          last_error.place <= cut);
  }
  for (cut = 0; cut < 8 + n; cut++) {
    CHECK(read_idx(images, size, labels, cut, NULL, &data) == INVMAN_E_FORMAT && data.x == NULL);
    CHECK(strncmp(last_error.what, "labels", 6) == 0);
  }
  CHECK(read_idx(images, size + 1, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && last_error.place == size);
  CHECK(read_idx(labels, 8 + n, images, size, NULL, &data) == INVMAN_E_FORMAT && last_error.place == 3);
  memcpy(bad, images, size);
  bad[2] = 0x0d; /* floats */
  CHECK(read_idx(bad, size, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && last_error.place == 2);
  memcpy(bad, images, size);
  bad[11] = 0; /* height 0 */
  CHECK(read_idx(bad, size, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && last_error.place == 8);
  memcpy(bad, images, size);
  memset(bad + 4, 0xff, 12); /* 2^96 bytes */
  CHECK(read_idx(bad, size, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && last_error.place == size);
  bad[0] = 0x1f;
  bad[1] = 0x8b; /* gzip */
  CHECK(read_idx(bad, size, labels, 8 + n, NULL, &data) == INVMAN_E_FORMAT && strstr(last_error.what, "gzip"));
  memcpy(bad, labels, 8 + n);
  bad[7]--;
  CHECK(read_idx(images, size, bad, 8 + n - 1, NULL, &data) == INVMAN_E_FORMAT && strstr(last_error.what, "as many"));
  o.label = wrong_rule;
  CHECK(read_idx(images, size, labels, 8 + n, &o, &data) == INVMAN_E_ARG && last_error.place == 1);
  o.label = zero_or_one;
  memset(labels + 8, 9, n);
  CHECK(read_idx(images, size, labels, 8 + n, &o, &data) == INVMAN_E_ARG);
  CHECK(invman_data_read_idx(NULL, in_test_dir("not there"), in_test_dir("labels"), NULL, &data) == INVMAN_E_IO);
}

static void data_tests(void) {
  RUN(data_stripe);
  RUN(data_cylinder);
  RUN(data_custom_labels);
  RUN(data_compression);
  RUN(data_sets_are_nested);
  RUN(data_shuffle_permutes);
  RUN(data_csv_reads);
  RUN(data_csv_refuses);
  RUN(data_csv_in_another_locale);
  RUN(data_idx_reads);
  RUN(data_idx_refuses);
}
