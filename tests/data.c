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
  memset(wide, '7', 4096); /* a number, beyond all doubles */
  CHECK(read_csv(wide, 4096, &data) == INVMAN_E_NONFINITE);
  memset(wide, 0, 4096);
  CHECK(read_csv(wide, 4096, &data) == INVMAN_E_FORMAT);
  free(wide);
  CHECK(invman_data_read_csv(NULL, in_test_dir("not there"), &data) == INVMAN_E_IO);
  CHECK(invman_data_read_csv(NULL, test_dir, &data) == INVMAN_E_IO);
  CHECK(invman_data_read_csv(NULL, NULL, &data) == INVMAN_E_IO);
}

/* What a number's text is read as; *whole: whether all of it is one. */
static double read_number(const char *text, size_t n, int *whole) {
  double value = -77;
  *whole = invman_i_parse_number(text, text + n, '.', &value) == text + n;
  return value;
}

static void same_as_strtod(const char *text) {
  int whole;
  double value = read_number(text, strlen(text), &whole), wanted = strtod(text, NULL);
  if (!whole || !same_bits(&value, &wanted, 1))
    test_fail(__FILE__, __LINE__, "%.60s... is %.17g, not %.17g", text, wanted, value);
}

static double random_double(invman_rng *rng) { /* any bits but those of infinity and NaN */
  double value;
  do {
    uint64_t bits = invman_rng_next(rng);
    memcpy(&value, &bits, sizeof value);
  } while (!invman_i_isfinite(value));
  return value;
}

static void data_numbers_return(void) { /* what 17 digits were printed of, to the bit */
  invman_rng rng;
  char text[64];
  size_t i;
  int whole;
  invman_rng_seed(&rng, 1, 50);
  for (i = 0; i < 200000 && test_failures == 0; i++) {
    double value = i % 2 ? random_double(&rng) : invman_rng_normal(&rng) * pow(10, (double)(i % 31) - 15), back;
    snprintf(text, sizeof text, "%.17g", value);
    back = read_number(text, strlen(text), &whole);
    CHECK(whole && same_bits(&back, &value, 1));
  }
}

static void data_numbers_as_strtod(void) { /* of few and many digits, near and far from what can be told apart */
  static char text[3000];
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, 2, 50);
  for (i = 0; i < 200000 && test_failures == 0; i++) {
    size_t digits = 1 + invman_rng_next(&rng) % (i % 1000 ? 24 : 1000), k, point = invman_rng_next(&rng) % (digits + 1);
    char *at = text;
    for (k = 0; k < digits; k++) {
      if (k == point) *at++ = '.';
      *at++ = (char)('0' + (i % 7 && k % 3 ? invman_rng_next(&rng) % 10 : i % 10));
    }
    snprintf(at, 32, i % 3 ? "e%d" : "E%+d", (int)(invman_rng_next(&rng) % (i % 2 ? 50 : 700)) - (i % 2 ? 25 : 360));
    same_as_strtod(text);
  }
}

#if LDBL_MANT_DIG >= 64
static void data_numbers_halfway(void) { /* exactly between two neighbours, all digits of it, and a hair beside */
  static char text[3000];
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, 3, 50);
  for (i = 0; i < 5000 && test_failures == 0; i++) {
    double low = fabs(random_double(&rng)), high;
    long double half;
    size_t n;
    char *e;
    if (i % 4 == 0) low = (double)(invman_rng_next(&rng) % 100000) * 5e-324; /* subnormal */
    if (i == 1) low = 0;
    if (i == 2) low = DBL_MIN;
    if (i == 3) low = nextafter(DBL_MIN, 0);
    high = nextafter(low, HUGE_VAL);
    half = ((long double)low + (long double)high) / 2;
    snprintf(text, sizeof text, "%.1100Le", half);
    same_as_strtod(text);
    e = strchr(text, 'e');
    e[-1] = '1'; /* the last of many zeros */
    same_as_strtod(text);
    n = strspn(text, "0123456789.");
    while (n > 1 && (text[n - 1] == '0' || text[n - 1] == '1')) n--; /* and one less than its last digit, then nines */
    if (text[n - 1] != '.') {
      text[n - 1]--;
      memset(text + n, '9', (size_t)(e - text) - n);
    }
    same_as_strtod(text);
  }
}
#endif

static void data_numbers_known(void) {
  static const struct {
    const char *text;
    uint64_t bits;
  } known[] = {
      {"0", 0},
      {"-0", UINT64_C(0x8000000000000000)},
      {"-0.0e5", UINT64_C(0x8000000000000000)},
      {"1", UINT64_C(0x3ff0000000000000)},
      {"+1.", UINT64_C(0x3ff0000000000000)},
      {".5", UINT64_C(0x3fe0000000000000)},
      {"000000000000000000000000000000001e0000000000000000000000000000000000000", UINT64_C(0x3ff0000000000000)},
      {"1e23", UINT64_C(0x44b52d02c7e14af6)},
      {"6.9294956446009195e15", UINT64_C(0x43389e56ee5e7a58)},
      {"8.41e21", UINT64_C(0x447c7e83209e90b2)},
      {"9007199254740993", UINT64_C(0x4340000000000000)}, /* 2^53 + 1: to even */
      {"9007199254740995", UINT64_C(0x4340000000000002)},
      {"9007199254740993.00000000000000000000000000001", UINT64_C(0x4340000000000001)},
      {"2.2250738585072011e-308", UINT64_C(0x000fffffffffffff)},
      {"2.2250738585072012e-308", UINT64_C(0x0010000000000000)},
      {"5e-324", 1},
      {"2.4703282292062327e-324", 0},
      {"2.4703282292062328e-324", 1},
      {"1e-400", 0},
      {"1e-99999999999999999999", 0},
      {"1e18446744073709551616", UINT64_C(0x7ff0000000000000)}, /* 2^64 */
      {"1e-18446744073709551616", 0},
      {"0e99999999999999999999", 0},
      {"1.7976931348623157e308", UINT64_C(0x7fefffffffffffff)},
      {"1.7976931348623158e308", UINT64_C(0x7fefffffffffffff)},
      {"1.7976931348623159e308", UINT64_C(0x7ff0000000000000)},
      {"1e309", UINT64_C(0x7ff0000000000000)},
      {"-1e99999999999999999999", UINT64_C(0xfff0000000000000)},
      {"-iNf", UINT64_C(0xfff0000000000000)},
      {"Infinity", UINT64_C(0x7ff0000000000000)}};
  static const char *const none[] = {"",    ".",    "+",     "-",     "e5",       "+.e1",  "1e",  "1e+",
                                     "1e-", "0x10", "0x1p3", "1.2.3", "1,5",      "--1",   "+-1", "1d5",
                                     "1_0", "1 2",  "1f",    "1e5.",  "\xd9\xa1", "infin", "nano"};
  static char zeros[40100];
  size_t k;
  int whole;
  double value, one = 1;
  for (k = 0; k < sizeof known / sizeof *known; k++) {
    double wanted;
    memcpy(&wanted, &known[k].bits, sizeof wanted);
    value = read_number(known[k].text, strlen(known[k].text), &whole);
    if (!whole || !same_bits(&value, &wanted, 1))
      test_fail(__FILE__, __LINE__, "%s is not %.17g", known[k].text, value);
  }
  for (k = 0; k < sizeof none / sizeof *none; k++) {
    read_number(none[k], strlen(none[k]), &whole);
    if (whole) test_fail(__FILE__, __LINE__, "%s is a number", none[k]);
  }
  memset(zeros, '0', 40000); /* 1 in many digits */
  zeros[0] = '1';
  snprintf(zeros + 40000, 100, "e-39999");
  value = read_number(zeros, strlen(zeros), &whole);
  CHECK(whole && same_bits(&value, &one, 1));
  memcpy(zeros, "0.", 2);
  zeros[39999] = '1';
  snprintf(zeros + 40000, 100, "e39998");
  value = read_number(zeros, strlen(zeros), &whole);
  CHECK(whole && same_bits(&value, &one, 1));
}

/* Reads a text, and all that it should say: n points, or the line and a part of what is wrong. */
static void csv_says(const char *text, size_t size, size_t n, size_t line, const char *why) {
  invman_data data;
  invman_status status = read_csv(text, size, &data);
  int good = n > 0 ? status == INVMAN_OK && data.n == n
                   : status == INVMAN_E_FORMAT && data.n == 0 && !data.x && last_error.place == line &&
                         strstr(last_error.what, why) != NULL;
  if (!good)
    test_fail(__FILE__, __LINE__, "%.40s: status %d, %lu points, line %lu: %s; wanted line %lu: %s", text, (int)status,
              (unsigned long)data.n, (unsigned long)last_error.place, last_error.what ? last_error.what : "",
              (unsigned long)line, why);
  invman_data_free(NULL, &data);
}

static void data_csv_of_all_kinds(void) {
  static const struct {
    const char *text;
    size_t n, line;
    const char *why;
  } texts[] = {
      /* separators */
      {"1,5;2,5;1\n", 0, 1, "mixed separators"},
      {"x;y;label\n1,5;2,5;1\n", 0, 2, "mixed separators"},
      {"1.5;2;1\n1,5;2;1\n", 0, 2, "mixed separators"},
      {"1,5 2,5 1\n", 0, 1, "mixed separators"},
      {"1,5\t2,5\t1\n", 0, 1, "mixed separators"},
      {"1,5; 2,5; -1,0\n", 0, 1, "mixed separators"},
      {"1.000,5;2;1\n", 0, 1, "mixed separators"},
      {"1,2 3,1\n", 0, 1, "mixed separators"},
      {"\"1,5\";\"2,5\";1\n", 0, 1, "decimal comma"},
      {"\"1,5\" \"2,5\" \"1\"\n", 0, 1, "decimal comma"},
      {"1,2,1\n1;2;1\n", 0, 2, "another separator"},
      {"1 2 1\n1,2,1\n", 0, 2, "another separator"},
      {"1;2;1\n\n# so\n1\t2\t1\n", 0, 4, "another separator"},
      {"1 2 1\n1\t2\t1\n1 2\t1\n", 3, 0, ""},
      {"1,\t2,\t1\n\t1 , 2 ,1\n", 2, 0, ""},
      {"1;2;1\n1 ; 2 ; 1  \n", 2, 0, ""},
      {"1\t\t1\n", 0, 1, "empty field"},
      {"1,,1\n", 0, 1, "empty field"},
      {"1,2,1,\n", 0, 1, "empty field"},
      {",,\n", 0, 1, "empty field"},
      /* headers */
      {"x,y,label\n1,2,1\n", 1, 0, ""},
      {",x,label\n0,2,1\n", 1, 0, ""},
      {"\"x, in m\",\"say \"\"y\"\"\",label\n1,2,1\n", 1, 0, ""},
      {"\"a \"\"b, c\"\" d\",y,label\n1,2,1\n", 1, 0, ""},
      {"1st;2nd;y,z\n1;2;1\n", 1, 0, ""},
      {"first feature\tsecond one\tlabel\n1\t2\t1\n", 0, 2, "columns than the header"},
      {"info\tnano\tinfinite\n1\t2\t1\n", 1, 0, ""},
      {",0.5,1\n1,2,1\n", 0, 1, "empty field"},
      {"NA,0.5,0.2,1\n", 0, 1, "missing"},
      {"x,0.5,1\n1,2,1\n", 0, 1, "not a number"},
      {"x,y,1\n1,2,1\n", 0, 1, "not a number"},
      {"x,NA,y\n1,2,1\n", 0, 1, "not a number"},
      {"x,0.5,-1.0\n1,2,1\n", 0, 1, "not a number"},
      {"x,0,label\n1,2,1\n", 0, 1, "not a number"},
      {"NA,NA,NA\n1,2,1\n", 0, 1, "missing"},
      {"null;none;-\n1;2;1\n", 0, 1, "missing"},
      {"0x10,0x1p3,0xA\n1,2,1\n", 0, 1, "not a number"},
      {"a,0x1,b\n1,2,1\n", 0, 1, "not a number"},
      {"\"1,5\";\"2,5\";\"x\"\n1;2;1\n", 0, 1, "decimal comma"},
      {"x,y\n1,2,1\n", 0, 2, "columns than the header"},
      {"x,y,z,label\n1,2,1\n", 0, 2, "columns than the header"},
      {"x;label\n1,1\n", 0, 2, "columns than the header"},
      {"title\n1,2,1\n", 0, 2, "columns than the header"},
      {"x,y,label\nx,y,label\n", 0, 2, "not a number"},
      {"x,y,label\nNA,2,1\n", 0, 2, "missing"},
      {"0,1\n0.5,1\n", 0, 1, "numbers columns"},
      {"0,1,2\n0.5,2,1\n", 0, 1, "numbers columns"},
      {"0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\n", 0, 1, "numbers columns"},
      {"\"0\";\"1\"\n2;1\n", 0, 1, "numbers columns"},
      {",0,1\n0,2,1\n", 0, 1, "numbers columns"},
      {"0,1,2,label\n1,2,3,1\n", 0, 1, "numbers columns"},
      {"# names\n0 1 2\n", 0, 2, "numbers columns"},
      {"0.0,1\n0,1\n", 2, 0, ""},
      {"0,1.0\n0,1\n", 2, 0, ""},
      {"0,+1\n0,1\n", 2, 0, ""},
      {"00,1\n0,1\n", 2, 0, ""},
      {"0,1,-1\n0,1,1\n", 2, 0, ""},
      {"0,0,1\n1,0,1\n", 2, 0, ""},
      {"1,0,1\n", 1, 0, ""},
      {"x,label\n0,1\n", 1, 0, ""},
      /* quotes */
      {"\"1.5\",\"-2\",\"1\"\n\" 3 \" , \"4\",\"-1\"\n", 2, 0, ""},
      {"\"1\" 2 \"-1\"\n", 1, 0, ""},
      {"\"1,2,1\n3,4,1\n", 0, 1, "not closed"},
      {"x,\"y,label\n1,2,1\n", 0, 1, "not closed"},
      {"1,2,1\n1,\"2,1\n", 0, 2, "not closed"},
      {"the 5\" pipe,y,\"a; b\"\n1,2,1\n", 1, 0, ""},
      {"\"x, y\";b;\"\"\n1;2;1\n", 1, 0, ""},
      {"\"1\"2,1,1\n", 0, 1, "not a number"},
      {"\"\",1,1\n", 0, 1, "empty field"},
      {"'1',2,1\n", 0, 1, "not a number"},
      /* ends of lines, blanks */
      {"1,2,1", 1, 0, ""},
      {"1,2,1\r\n3,4,-1\r\n", 2, 0, ""},
      {"1,2,1 \r\r\n   \n\t\n\r\n  # so\n 3,4,-1", 2, 0, ""},
      {"1,2,1\r3,4,-1\r", 0, 1, "a CR within"},
      {"x,y,label\r1,2,1\r", 0, 1, "a CR within"},
      {"# made by\r1,2,1\r", 0, 1, "a CR within"},
      {"x,y,label\n1,2,1\r3,4,-1\n", 0, 2, "a CR within"},
      {"0x10,2,1\n", 0, 1, "not a number"},
      {"1,0x2,1\n", 0, 1, "not a number"},
      {"1,2e,1\n", 0, 1, "not a number"},
      {"1,\xe2\x88\x92"
       "2,1\n",
       0, 1, "not a number"},
  };
  size_t k;
  for (k = 0; k < sizeof texts / sizeof *texts; k++)
    csv_says(texts[k].text, strlen(texts[k].text), texts[k].n, texts[k].line, texts[k].why);
}

static void data_csv_of_other_kinds(void) { /* files that are no such text are named */
#define BYTES(text) text, sizeof text - 1
  static const char text[] = "x,y,label\n1,2,1\n3,4,-1\n";
  char wide[2 * sizeof text + 2];
  size_t k, way, n = sizeof text - 1;
  csv_says(BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3"), 0, 1, "gzip");
  csv_says(BYTES("PK\3\4\x14\0\0\0\0\0\0\0!\0"), 0, 1, ".npz");
  csv_says(BYTES("\x93NUMPY\1\0v\0{'descr': '<f8', }\n"), 0, 1, ".npy");
  csv_says(BYTES("\x89INV\r\n\x1a\nNET \1\0\0\0"), 0, 1, "this library");
  csv_says(BYTES("\xfd"
                 "7zXZ\0\0\4"),
           0, 1, "compressed");
  csv_says(BYTES("1,2,1\n1,2\0,1\n"), 0, 2, "zero byte");
  csv_says(BYTES("1,2,1\n1,2,1\0 and more\n"), 0, 2, "zero byte");
  csv_says(BYTES("1,2\0"
                 "5,1\n"),
           0, 1, "zero byte");
  csv_says(BYTES("x,y\0,label\n1,2,1\n"), 0, 1, "zero byte");
  csv_says(BYTES("# a\0b\n1,2,1\n"), 0, 1, "zero byte");
  csv_says(BYTES("1,2,1\n\0\0\0\0"), 0, 2, "zero byte");
  for (way = 0; way < 4; way++) { /* UTF-16 of both kinds, with a mark of it and without */
    memcpy(wide, way % 2 ? "\xfe\xff" : "\xff\xfe", 2);
    for (k = 0; k < n; k++) wide[2 + 2 * k + (way % 2)] = text[k], wide[2 + 2 * k + (1 - way % 2)] = 0;
    csv_says(wide + (way < 2 ? 0 : 2), 2 * n + (way < 2 ? 2 : 0), 0, 1, "UTF-16");
  }
#undef BYTES
}

/* A locale whose numbers have another decimal point, made in the tests' directory; 0: it cannot be. */
static int use_locale(const char *name, const char *point) {
#ifdef TEST_POSIX
  char command[1500];
  snprintf(command, sizeof command,
           "cd '%s' && mkdir -p locale && printf '%s' '%s' >locale.src && localedef -c -i locale.src -f UTF-8 "
           "locale/%s.UTF-8 >locale.log 2>&1",
           test_dir, "LC_NUMERIC\\ndecimal_point \"%s\"\\nthousands_sep \"\"\\ngrouping -1\\nEND LC_NUMERIC\\n", point,
           name);
  if (system(command) < 0) return 0;
  setenv("LOCPATH", in_test_dir("locale"), 1);
  snprintf(command, sizeof command, "%s.UTF-8", name);
  return setlocale(LC_NUMERIC, command) != NULL;
#else
  (void)point;
  return setlocale(LC_NUMERIC, name) != NULL;
#endif
}

static void data_csv_in_another_locale(void) { /* where the decimal point is a comma, or two bytes long */
  static const char *const names[2][2] = {{"German", ","}, {"Pashto", "<U066B>"}};
  static const char text[] = "1.5;2.25;1\n";
  invman_data data;
  size_t k, tried = 0;
  for (k = 0; k < 2; k++) {
    if (!use_locale(names[k][0], names[k][1])) continue;
    tried++;
    CHECK(strlen(localeconv()->decimal_point) == k + 1 && localeconv()->decimal_point[0] != '.');
    CHECK(read_csv(text, sizeof text - 1, &data) == INVMAN_OK);
    CHECK(data.x && data.x[0] == 1.5 && data.x[1] == 2.25);
    invman_data_free(NULL, &data);
    csv_says("1,5;2;1\n", 8, 0, 1, "mixed separators");
    setlocale(LC_NUMERIC, "C");
  }
  if (tried == 0) test_skip("no locale with a decimal comma is installed, nor can be made");
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
  RUN(data_csv_of_all_kinds);
  RUN(data_csv_of_other_kinds);
  RUN(data_csv_in_another_locale);
  RUN(data_numbers_return);
  RUN(data_numbers_as_strtod);
#if LDBL_MANT_DIG >= 64
  RUN(data_numbers_halfway);
#endif
  RUN(data_numbers_known);
  RUN(data_idx_reads);
  RUN(data_idx_refuses);
}
