/* Random numbers: known answers, the normal's quantile against SciPy, distribution, streams. */

static void rng_known_answers(void) {
  static const uint64_t one[10] = {UINT64_C(41943041),
                                   UINT64_C(58720359),
                                   UINT64_C(3588806011781223),
                                   UINT64_C(3591011842654386),
                                   UINT64_C(9228616714210784205),
                                   UINT64_C(9973669472204895162),
                                   UINT64_C(14011001112246962877),
                                   UINT64_C(12406186145184390807),
                                   UINT64_C(15849039046786891736),
                                   UINT64_C(10450023813501588000)}; /* of the authors' code, from state 1 2 3 4 */
  static const uint64_t split[3] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                    UINT64_C(9817491932198370423)}; /* SplitMix64 from seed 1234567 */
  static const uint64_t seeded[4] = {UINT64_C(4471108408346793946), UINT64_C(14496800402294131489),
                                     UINT64_C(2342330059520746732), UINT64_C(3706536018249980344)};
  invman_rng rng;
  size_t i;
  for (i = 0; i < 4; i++) rng.state[i] = i + 1;
  for (i = 0; i < 10; i++) CHECK(invman_rng_next(&rng) == one[i]);
  for (i = 0; i < 3; i++) CHECK(invman_i_mix(1234567 + (i + 1) * UINT64_C(0x9e3779b97f4a7c15)) == split[i]);
  invman_rng_seed(&rng, 1, 1);
  for (i = 0; i < 4; i++) CHECK(invman_rng_next(&rng) == seeded[i]);
}

static void rng_quantile_is_scipys(void) { /* scipy.special.ndtri */
  static const double known[][2] = {{1.1102230246251565e-16, -8.2095361516013874},
                                    {1.0000000000000001e-15, -7.9413453261709979},
                                    {1e-10, -6.3613409024040557},
                                    {1.0000000000000001e-05, -4.2648907939228247},
                                    {0.001, -3.0902323061678132},
                                    {0.024250000000000001, -1.9729610513118849},
                                    {0.073999999999999996, -1.4466320671589785},
                                    {0.075999999999999998, -1.4325027208258116},
                                    {0.20000000000000001, -0.84162123357291418},
                                    {0.40000000000000002, -0.25334710313579972},
                                    {0.499, -0.0025066308995717666}};
  size_t i;
  for (i = 0; i < sizeof known / sizeof known[0]; i++) {
    double q = known[i][0] - 0.5, slope = sqrt(6.283185307179586) * exp(0.5 * known[i][1] * known[i][1]);
    double rounding = 6e-17 * slope; /* of p - 1/2, which the tail feels */
    CLOSE(invman_i_normal_quantile(q), known[i][1], 1e-15 * fabs(known[i][1]) + rounding);
    CHECK(invman_i_normal_quantile(-q) == -invman_i_normal_quantile(q));
  }
  for (i = 1; i < 60; i++) { /* the library's own logarithm */
    double x = ldexp(1 + (double)(i * 37 % 64) / 64, -(int)i);
    CLOSE(invman_i_log(x), log(x), 3e-16 * fabs(log(x)));
  }
}

static void rng_same_bits_everywhere(void) { /* with any compiler, optimisation and instruction set */
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, 42, INVMAN_STREAM_WEIGHTS);
  for (i = 0; i < 100000; i++) {
    double z = invman_rng_normal(&rng);
    uint64_t bits;
    memcpy(&bits, &z, sizeof bits);
    hash = (hash ^ bits) * UINT64_C(0x100000001b3);
  }
  CHECK(hash == UINT64_C(0x3f0c8fb26dedfd73));
}

static void rng_distribution(void) {
  /* 10^6 draws: the mean of z^k scatters by sd(z^k)/1000; five of these leave one false alarm in 10^6. */
  enum { N = 1000000 };
  double *z = (double *)malloc(N * sizeof(double)), m[5] = {0}, uniform = 0, worst = 0;
  invman_rng rng;
  size_t i, k;
  invman_rng_seed(&rng, 7, 7);
  for (i = 0; i < N; i++) {
    double u = invman_rng_uniform(&rng), power = 1;
    CHECK(u >= 0 && u < 1);
    uniform += u / N;
    z[i] = invman_rng_normal(&rng);
    for (k = 1; k < 5; k++) m[k] += (power *= z[i]) / N;
  }
  CLOSE(uniform, 0.5, 5 * 0.2887 / 1000);
  CLOSE(m[1], 0, 5.0 / 1000);
  CLOSE(m[2], 1, 5 * sqrt(2.0) / 1000);
  CLOSE(m[3], 0, 5 * sqrt(15.0) / 1000);
  CLOSE(m[4], 3, 5 * sqrt(96.0) / 1000);
  qsort(z, N, sizeof(double), by_value); /* Kolmogorov and Smirnov: P(D sqrt(N) > 2.4) = 2e-5 */
  for (i = 0; i < N; i++) worst = fmax(worst, fabs(0.5 * erfc(-z[i] / sqrt(2.0)) - ((double)i + 0.5) / N));
  CLOSE(worst * 1000, 0, 2.4);
  free(z);
}

static void rng_streams_differ(void) {
  invman_rng a, b;
  uint64_t first[64];
  size_t seed, stream, i, n = 0;
  for (seed = 0; seed < 8; seed++)
    for (stream = 0; stream < 8; stream++) {
      invman_rng_seed(&a, seed, stream);
      first[n++] = invman_rng_next(&a);
    }
  for (n = 0; n < 64; n++)
    for (i = 0; i < n; i++) CHECK(first[i] != first[n]);
  invman_rng_seed(&a, 5, 6);
  invman_rng_seed(&b, 5, 6);
  for (i = 0; i < 100; i++) CHECK(invman_rng_next(&a) == invman_rng_next(&b));
}

/* Largest difference from the C library's, in units of the last place. */
static double ulps(double value, double wanted) {
  int exponent;
  if (value == wanted) return 0;
  frexp(wanted, &exponent);
  return fabs(value - wanted) / ldexp(1, exponent - 53 > -1074 ? exponent - 53 : -1074);
}

static void rng_own_functions(void) { /* exp, log and those made of them */
  double x, worst[5] = {0, 0, 0, 0, 0};
  for (x = -745; x < 709.7; x += 0.0137) worst[0] = fmax(worst[0], ulps(invman_i_exp(x), exp(x)));
  for (x = -0.5; x < 0.5; x += 1.1e-4) worst[0] = fmax(worst[0], ulps(invman_i_exp(x), exp(x)));
  for (x = floats_flush ? 1e-290 : 1e-320; x < 1e308; x *= 1.37) {
    worst[1] = fmax(worst[1], ulps(invman_i_log(x), log(x)));
    worst[2] = fmax(worst[2], ulps(invman_i_log1p(x), log1p(x)));
    worst[3] = fmax(worst[3], ulps(invman_i_cbrt(x), cbrt(x)));
  }
  for (x = 0.5; x < 2; x += 1.1e-4) worst[1] = fmax(worst[1], ulps(invman_i_log(x), log(x)));
  for (x = 0.25; x < 700; x *= 1.01) worst[4] = fmax(worst[4], ulps(invman_i_sinh(x), sinh(x)));
  CHECK(worst[0] <= 1.5 && worst[1] <= 3 && worst[2] <= 3 && worst[3] <= 3 && worst[4] <= 3);
  CHECK(invman_i_exp(0) == 1 && invman_i_exp(-800) == 0 && invman_i_exp(800) == HUGE_VAL && invman_i_log(1) == 0);
  CHECK(invman_i_exp(709.782) < HUGE_VAL && invman_i_exp(709.79) == HUGE_VAL && invman_i_exp(-745.2) == 0);
  CHECK(invman_i_log(0) == -HUGE_VAL && invman_i_log(HUGE_VAL) == HUGE_VAL && invman_i_log(-1) != invman_i_log(-1));
  CHECK(invman_i_log1p(0) == 0 && invman_i_log1p(1e-300) == 1e-300 && invman_i_log1p(HUGE_VAL) == HUGE_VAL);
  CHECK(invman_i_cbrt(0) == 0 && invman_i_cbrt(HUGE_VAL) == HUGE_VAL && invman_i_power(0, 3) == 0);
  CLOSE(invman_i_power(0.9, 17), pow(0.9, 17), 1e-15);
}

static void rng_tests(void) {
  RUN(rng_own_functions);
  RUN(rng_known_answers);
  RUN(rng_quantile_is_scipys);
  RUN(rng_same_bits_everywhere);
  RUN(rng_distribution);
  RUN(rng_streams_differ);
}
