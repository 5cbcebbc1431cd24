/* Doubly stochastic mixing forgets: how much of the detail a layer M(tau) keeps at a temperature, how many layers it
   takes until LayerNorm amplifies noise alone, what changes where the temperature rises or falls from layer to layer,
   and what a residual connection saves. In the sense of "The Homogeneity Trap" (arXiv 2601.02080): the bounds shown
   are those that invman.h documents, not quotations of that paper.

   cc -O3 examples/homogeneity_trap.c -I. -o homogeneity_trap -lm
   ./homogeneity_trap --n 32 --out trap */
#define _POSIX_C_SOURCE 200809L /* mkdir */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <direct.h>
#define mkdir(path, mode) _mkdir(path)
#else
#include <sys/stat.h>
#endif

static const char help[] =
    "homogeneity_trap - what doubly stochastic mixing leaves of its input's detail, by temperature and by depth\n"
    "\n"
    "  homogeneity_trap [options]\n"
    "\n"
    "  --n N                    what is mixed: N tokens, at least 4 (32)\n"
    "  --tau-range LOW:HIGH:N   N temperatures from LOW to HIGH, in equal ratios (0.1:30:25)\n"
    "  --seeds A:B              of the random logits, A to B (1:3)\n"
    "  --cosine C               the signal is lost where its mean cosine with the clean one is below this (0.5)\n"
    "  --snr S                  ratio of signal to noise before the first layer (100)\n"
    "  --sweeps N               Sinkhorn's sweeps at most (2000)\n"
    "  --draws N                of the noise, for a mean cosine (200)\n"
    "  --out DIR                temperature.csv, depth.csv, chain.csv and residual.csv\n"
    "  --help, --version\n"
    "\n"
    "  homogeneity_trap --n 64 --tau-range 0.2:10:30 --out trap\n"
    "\n"
    "M(tau) is the doubly stochastic matrix of largest <M,G> + tau entropy. Logits G, all of mean square 1 about "
    "their\n"
    "mean: random N(0,1); symmetric, random; diagonal g 1; circulant sqrt(2) cos(2 pi (i-j)/n); blocks, equal within.\n"
    "Where the signal is lost: the mean cosine there, what its ratio to the noise predicts, and the bound on |cosine|\n"
    "that holds with probability 1 - 3 e^-3. Beside it, but for random logits, the power in the slowest mode after so\n"
    "many layers that add noise of power 1 each, and its closed form; for |mu| = 1 it would be the number of layers.\n"
    "A chain has one layer per temperature of the range; its depth is that of the product of their sigma_2.\n"
    "sigma_2 is the largest share of the detail (what is orthogonal to the constant vector) that a layer keeps.\n"
    "The trap is meant in the sense of arXiv 2601.02080; the bounds are those that invman.h documents.\n"
    "A temperature at which the sweeps did not converge says so; what is then not doubly stochastic is not measured.\n"
    "\n"
    "Exit status: 0 done, though some temperatures may not have converged; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("homogeneity_trap: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
  exit(2);
}

static invman_error error;

/* Ends the program where a call of the library failed; `about`: the matter at hand. */
static void check(invman_status status, const char *about) {
  if (status >= 0) return;
  if (error.unit && error.unit[0]) fail("%s: %s (%s %lu)", about, error.what, error.unit, (unsigned long)error.place);
  fail("%s: %s", about, error.what ? error.what : invman_status_string(status));
}

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- the command line */

enum { TAU_MAX = 1000, SEEDS_MAX = 1000, LAYERS_MAX = 1000 }; /* at most */

typedef struct arguments {
  const char *out;
  size_t n, taus, first_seed, seeds, sweeps, draws;
  double tau_low, tau_high, cosine, snr;
} arguments;

static size_t whole_number(const char *flag, const char *text, size_t least) {
  char *end;
  unsigned long long value;
  errno = 0;
  value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value > SIZE_MAX)
    fail("%s: '%s' is not a whole number", flag, text);
  if (value < least) fail("%s must be at least %lu", flag, (unsigned long)least);
  return (size_t)value;
}

static double positive_number(const char *flag, const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end) fail("%s: '%s' is not a number", flag, text);
  if (!(value > 0 && value <= DBL_MAX)) fail("%s must be positive and finite", flag);
  return value;
}

/* The next of several values: what stands before a colon, or the rest. Returns where the one after it begins, NULL
   after the last one. */
static const char *next_value(const char *flag, const char *list, char value[32]) {
  const char *end = strchr(list, ':');
  size_t length = end ? (size_t)(end - list) : strlen(list);
  if (length >= 32) fail("%s: '%s' is too long", flag, list);
  memcpy(value, list, length);
  value[length] = 0;
  return end ? end + 1 : NULL;
}

static void parse_taus(const char *flag, const char *text, arguments *a) {
  char value[32];
  const char *rest = next_value(flag, text, value);
  a->tau_low = positive_number(flag, value);
  if (rest) {
    rest = next_value(flag, rest, value);
    a->tau_high = positive_number(flag, value);
  }
  if (!rest) fail("%s: '%s' is not LOW:HIGH:N", flag, text);
  a->taus = whole_number(flag, rest, 1);
  if (a->taus > TAU_MAX) fail("%s: more than %d", flag, (int)TAU_MAX);
  if (a->tau_high < a->tau_low) fail("%s: the last is smaller than the first", flag);
}

static void parse_seeds(const char *flag, const char *text, arguments *a) {
  char value[32];
  size_t last;
  text = next_value(flag, text, value);
  last = a->first_seed = whole_number(flag, value, 0);
  if (text) last = whole_number(flag, text, 0);
  if (last < a->first_seed) fail("%s: the last is smaller than the first", flag);
  if (last - a->first_seed >= SEEDS_MAX) fail("%s: more than %d", flag, (int)SEEDS_MAX);
  a->seeds = last - a->first_seed + 1;
}

static void parse_option(const char *flag, const char *value, arguments *a) {
  if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--n")) a->n = whole_number(flag, value, 4);
  else if (!strcmp(flag, "--tau-range")) parse_taus(flag, value, a);
  else if (!strcmp(flag, "--seeds")) parse_seeds(flag, value, a);
  else if (!strcmp(flag, "--sweeps")) a->sweeps = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--draws")) a->draws = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--snr")) a->snr = positive_number(flag, value);
  else if (!strcmp(flag, "--cosine")) {
    a->cosine = positive_number(flag, value);
    if (a->cosine >= 1) fail("--cosine must be below 1");
  } else fail("%s: unknown option; see --help", flag);
}

static void parse(int argc, char **argv, arguments *a) {
  int i;
  memset(a, 0, sizeof *a);
  a->n = 32;
  a->sweeps = 2000;
  a->draws = 200;
  a->cosine = 0.5;
  a->snr = 100;
  parse_taus("--tau-range", "0.1:30:25", a);
  parse_seeds("--seeds", "1:3", a);
  for (i = 1; i < argc; i += 2) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("homogeneity_trap, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    parse_option(flag, value, a);
  }
}

static double tau_of(const arguments *a, size_t i) {
  return a->taus > 1 ? a->tau_low * pow(a->tau_high / a->tau_low, (double)i / (double)(a->taus - 1)) : a->tau_low;
}

/* ---- files */

typedef struct table {
  char *path, *temporary;
  FILE *file;
} table;

static char *path_of(const arguments *a, const char *name, const char *tail) {
  size_t length = strlen(a->out) + strlen(name) + strlen(tail) + 2;
  char *path = (char *)malloc(length);
  if (!path) fail("out of memory");
  snprintf(path, length, "%s/%s%s", a->out, name, tail);
  return path;
}

static table open_table(const arguments *a, const char *name) {
  table t;
  t.path = path_of(a, name, "");
  t.temporary = path_of(a, name, ".tmp");
  t.file = fopen(t.temporary, "wb");
  if (!t.file) fail("%s: cannot be created", t.path);
  return t;
}

/* `wanted`: the file gets its name; else it is removed. */
static void close_table(table *t, int wanted) {
  int bad = ferror(t->file) != 0;
  bad |= fclose(t->file) != 0;
#ifdef _WIN32
  if (wanted && !bad) remove(t->path);
#endif
  bad = bad || (wanted && rename(t->temporary, t->path) != 0);
  if (bad || !wanted) remove(t->temporary);
  if (bad) fail("%s: cannot be written", t->path);
  if (wanted) printf("%-12s %s\n", "written", t->path);
  free(t->temporary);
  free(t->path);
}

/* Fails now, and not at the end, where a file will not be written; leaves nothing behind but the directory. */
static void check_writable(const arguments *a) {
  static const char *const names[] = {"temperature.csv", "depth.csv", "chain.csv", "residual.csv"};
  size_t i;
  if (!a->out) return;
  if (mkdir(a->out, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", a->out);
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    table t = open_table(a, names[i]);
    close_table(&t, 0);
  }
}

static table begin_table(const arguments *a, const char *name, const char *about) {
  table t = open_table(a, name);
  fprintf(t.file, "# homogeneity_trap, invman.h %d.%d.%d: n = %lu, cosine %g, snr %g, at most %lu sweeps, %lu draws\n",
          INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, (unsigned long)a->n, a->cosine, a->snr,
          (unsigned long)a->sweeps, (unsigned long)a->draws);
  fprintf(t.file, "# logits: mean square 1 about their mean; %s\n", about);
  return t;
}

/* A comma and a number; nothing behind the comma where it is not known. */
static void put(FILE *file, double value) {
  if (value > DBL_MAX) fprintf(file, ",inf");
  else if (value == value) fprintf(file, ",%.9g", value);
  else fprintf(file, ",");
}

/* ---- the logits */

enum { RANDOM, SYMMETRIC, DIAGONAL, CIRCULANT, BLOCKS, KINDS };
static const char *const kind_names[KINDS] = {"random", "symmetric", "diagonal", "circulant", "blocks"};
static int is_random(int kind) { return kind <= SYMMETRIC; }
static int is_symmetric(int kind) { return kind != RANDOM; }

static const double unknown = (double)NAN;
static int known(double x) { return x == x; }

enum { STREAM_LOGITS = 21, STREAM_INPUT, STREAM_NOISE };

static void make_random(size_t n, size_t seed, int symmetric, double *G) {
  invman_rng rng;
  size_t i, j;
  invman_rng_seed(&rng, seed, STREAM_LOGITS);
  for (i = 0; i < n * n; i++) G[i] = invman_rng_normal(&rng);
  for (i = 0; symmetric && i < n; i++)
    for (j = 0; j <= i; j++) G[i * n + j] = G[j * n + i] = (G[i * n + j] + G[j * n + i]) / (i == j ? 2 : sqrt(2.0));
}

/* Four blocks where n allows it, else as few as it does. */
static size_t block_count(size_t n) {
  size_t k = 2;
  if (n % 4 == 0) return 4;
  while (n % k != 0) k++;
  return k;
}

/* G_ij = g for points of the same of k blocks: of mean square 1 about its mean. */
static double block_height(size_t k) { return (double)k / sqrt((double)k - 1); }

static void make_blocks(size_t n, size_t k, double *G) {
  size_t i, j;
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) G[i * n + j] = i / (n / k) == j / (n / k) ? block_height(k) : 0;
}

static double ring(size_t n, size_t distance) { return sqrt(2.0) * cos(2 * acos(-1.0) * (double)distance / (double)n); }

static void make_logits(int kind, size_t n, size_t seed, double *G) {
  size_t i, j;
  if (is_random(kind)) make_random(n, seed, kind == SYMMETRIC, G);
  else if (kind == DIAGONAL) make_blocks(n, n, G);
  else if (kind == BLOCKS) make_blocks(n, block_count(n), G);
  else
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++) G[i * n + j] = ring(n, i > j ? i - j : j - i);
}

/* sigma_2 in closed form: of k blocks (e^x - 1)/(e^x + k - 1), x = g/tau; of a circulant matrix the largest Fourier
   coefficient but the first of a softmaxed row, which for this row is the second. Unknown for random logits. */
static double exact_sigma(int kind, size_t n, double tau) {
  double sum = 0, wave = 0;
  size_t i, k = kind == DIAGONAL ? n : block_count(n);
  if (is_random(kind)) return unknown;
  if (kind != CIRCULANT) {
    double x = exp(-block_height(k) / tau);
    return (1 - x) / (1 + ((double)k - 1) * x);
  }
  for (i = 0; i < n; i++) {
    double e = exp((ring(n, i) - sqrt(2.0)) / tau);
    sum += e;
    wave += e * cos(2 * acos(-1.0) * (double)i / (double)n);
  }
  return wave / sum;
}

/* ---- mixing at a temperature */

/* Where the signal of an input is lost, and what is there. */
typedef struct loss {
  double layer, by_signal; /* the first with too small a mean cosine; the same by the ratio of signal to noise */
  double cosine, predicted, bound; /* at `layer`: the mean; by the ratio; of |cosine|, but for 3 e^-3 of all noise */
  double noise;                    /* power along the input, of 1 from each layer up to `layer`; of a symmetric M */
} loss;

typedef struct row {
  int kind;
  size_t seed;
  double tau, limit, exact; /* limit: of tau sigma_2 for tau -> infinity */
  invman_sinkhorn_info info;
  int converged, usable; /* usable: doubly stochastic to 1e-6 at least */
  invman_mixing mixing;
  double depth;         /* until 1 % of the detail is left */
  double predicted;     /* depth at which the signal is lost, at most */
  loss random, slowest; /* of a random input; of the one whose detail lasts longest */
} row;

static loss nothing(void) {
  loss l;
  l.layer = l.by_signal = l.cosine = l.predicted = l.bound = l.noise = unknown;
  return l;
}

/* M (n,n) at row r's temperature, and what it does. */
static void mix(const invman_context *ctx, const arguments *a, const double *G, double *M, row *r) {
  invman_status status = invman_sinkhorn(ctx, G, a->n, r->tau, 0, a->sweeps, M, &r->info);
  if (status != INVMAN_NOT_CONVERGED) check(status, "sinkhorn");
  r->converged = status == INVMAN_OK;
  r->exact = exact_sigma(r->kind, a->n, r->tau);
  r->depth = r->predicted = unknown;
  r->random = r->slowest = nothing();
  status = invman_mixing_measures(ctx, M, a->n, &r->mixing);
  r->usable = status >= 0;
  if (status < 0 && (r->converged || status != INVMAN_E_ARG)) check(status, "mixing");
  if (r->usable) r->depth = invman_effective_depth(r->mixing.sigma_2, 0.01);
}

/* ---- the depth at which LayerNorm's output is noise */

static void multiply(const double *M, size_t n, const double *x, double *out) {
  size_t i, j;
  for (i = 0; i < n; i++) {
    out[i] = 0;
    for (j = 0; j < n; j++) out[i] += M[i * n + j] * x[j];
  }
}

static double detail_norm(const double *x, size_t n) {
  double mean = 0, sum = 0;
  size_t i;
  for (i = 0; i < n; i++) mean += x[i] / (double)n;
  for (i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
  return sqrt(sum);
}

/* Mean cosine of LayerNorm(s + noise) with LayerNorm(s). */
static double mean_cosine(const double *s, size_t n, double noise, size_t draws, invman_rng *rng, double *work) {
  double *clean = work, *noisy = work + n, sum = 0;
  size_t k, i;
  memcpy(clean, s, n * sizeof *s);
  invman_layer_norm(clean, n, 0);
  for (k = 0; k < draws; k++) {
    for (i = 0; i < n; i++) noisy[i] = s[i] + noise * invman_rng_normal(rng);
    invman_layer_norm(noisy, n, 0);
    for (i = 0; i < n; i++) sum += clean[i] * noisy[i] / (double)n;
  }
  return sum / (double)draws;
}

/* The input whose detail lasts longest in the first layer, by power iteration with M'M from a random x; in all layers
   where M is symmetric. */
static void slow_input(const double *M, size_t n, double *x, double *work) {
  size_t round, i, j;
  for (round = 0; round < 300; round++) {
    invman_layer_norm(x, n, 0);
    multiply(M, n, x, work);
    for (j = 0; j < n; j++) x[j] = 0;
    for (i = 0; i < n; i++)
      for (j = 0; j < n; j++) x[j] += M[i * n + j] * work[i];
  }
  invman_layer_norm(x, n, 0);
}

/* The input s goes through layer after layer, with noise of one size behind the last: the first number of layers with a
   mean cosine below the wanted one, and (by_signal) the first with a ratio of signal to noise below that for it. What
   noise a layer adds along the input goes through the later ones as the input does. */
static loss lost_at(const arguments *a, const double *M, size_t seed, double *s, double *work) {
  size_t n = a->n, layer;
  double start = detail_norm(s, n), noise = start / sqrt(((double)n - 1) * a->snr), added = 0;
  double critical = invman_critical_snr(a->cosine);
  loss out = nothing();
  invman_rng rng;
  invman_rng_seed(&rng, seed, STREAM_NOISE);
  for (layer = 0; layer <= LAYERS_MAX && !(known(out.by_signal) && known(out.layer)); layer++) {
    double r = detail_norm(s, n), snr = invman_snr(r, noise, n);
    if (!known(out.by_signal) && snr <= critical) out.by_signal = (double)layer;
    if (!known(out.layer)) {
      double cosine = mean_cosine(s, n, noise, a->draws, &rng, work);
      if (cosine < a->cosine) {
        out.layer = (double)layer;
        out.cosine = cosine;
        out.predicted = invman_snr_cosine(snr);
        out.bound = invman_cosine_bound(r, noise, n, 3);
        out.noise = added;
      }
      added += (r / start) * (r / start);
    }
    multiply(M, n, s, work);
    memcpy(s, work, n * sizeof *s);
  }
  return out;
}

/* That noise in closed form, of a mode of |mu| = sigma_2. */
static double mode_noise(const row *r) {
  return known(r->slowest.layer) ? invman_mode_noise(r->mixing.sigma_2, (size_t)r->slowest.layer) : unknown;
}

static void lose_signal(const arguments *a, const double *M, row *r) {
  double *s, *work;
  invman_rng rng;
  size_t i;
  r->predicted = invman_critical_depth(a->snr, a->cosine, r->mixing.sigma_2);
  if (!(r->predicted <= (double)LAYERS_MAX)) return;
  s = numbers(3, a->n);
  work = s + a->n;
  invman_rng_seed(&rng, r->seed, STREAM_INPUT);
  for (i = 0; i < a->n; i++) s[i] = invman_rng_normal(&rng);
  r->random = lost_at(a, M, r->seed, s, work);
  for (i = 0; i < a->n; i++) s[i] = invman_rng_normal(&rng);
  slow_input(M, a->n, s, work);
  r->slowest = lost_at(a, M, r->seed, s, work);
  free(s);
}

/* ---- layers of different temperatures */

typedef struct chain {
  const row *first;
  size_t layers;        /* with a doubly stochastic matrix */
  double mean;          /* geometric, of sigma_2: the chain keeps as much as this in every layer */
  double depth_of_mean; /* until 1 % of the detail is left, at most */
  double depth_rising;  /* the same from low to high temperature; infinite: the chain is too short for it */
  double depth_falling; /* the same from high to low */
} chain;

static double chain_depth(const double *sigma, size_t layers) {
  size_t depth = invman_chain_depth(sigma, layers, 0.01);
  return depth > layers ? (double)INFINITY : (double)depth;
}

/* Of the rows of one matrix of logits, one layer per temperature. */
static chain heat(const row *rows, size_t count) {
  double *rising = numbers(2, count), *falling = rising + count, sum = 0;
  chain c;
  size_t i;
  c.first = rows;
  for (c.layers = i = 0; i < count; i++)
    if (rows[i].usable) rising[c.layers++] = rows[i].mixing.sigma_2;
  for (i = 0; i < c.layers; i++) {
    falling[c.layers - 1 - i] = rising[i];
    sum += log(rising[i]);
  }
  c.mean = c.layers > 0 ? exp(sum / (double)c.layers) : unknown;
  c.depth_of_mean = c.layers > 0 ? invman_effective_depth(c.mean, 0.01) : unknown;
  c.depth_rising = c.layers > 0 ? chain_depth(rising, c.layers) : unknown;
  c.depth_falling = c.layers > 0 ? chain_depth(falling, c.layers) : unknown;
  free(rising);
  return c;
}

/* ---- residual connections */

enum { SHARES = 8 };
static const double shares[SHARES] = {1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0}; /* of mixing in a layer */

typedef struct residual {
  int kind;
  double a, sigma_2, bound, depth, change; /* change: |M_a - 1|_2 */
} residual;

static void stagnate(const invman_context *ctx, size_t n, int kind, const double *M, double sigma_2, residual *out) {
  double *A = numbers(n, n), *sigma = numbers(n, 1);
  size_t i, k;
  for (k = 0; k < SHARES; k++) {
    memcpy(A, M, n * n * sizeof *A);
    check(invman_mixing_residual(ctx, A, n, shares[k]), "residual");
    check(invman_detail_spectrum(ctx, A, n, sigma), "residual");
    out[k].kind = kind;
    out[k].a = shares[k];
    out[k].sigma_2 = sigma[0];
    out[k].bound = 1 - shares[k] + shares[k] * sigma_2;
    out[k].depth = invman_effective_depth(sigma[0], 0.01);
    for (i = 0; i < n; i++) A[i * n + i] -= 1; /* M_a - 1 has no constant part: what is left is its norm */
    check(invman_detail_spectrum(ctx, A, n, sigma), "residual");
    out[k].change = sigma[0];
  }
  free(A);
  free(sigma);
}

/* ---- all of it */

typedef struct study {
  row *rows;
  size_t count, residuals;
  residual kept[KINDS * SHARES];
} study;

static void study_logits(const invman_context *ctx, const arguments *a, int kind, size_t seed, study *s) {
  size_t n = a->n, i;
  double *G = numbers(n, n), *M = numbers(n, n), *sigma = numbers(n, 1);
  row at_one;
  make_logits(kind, n, seed, G);
  check(invman_detail_spectrum(ctx, G, n, sigma), "logits");
  for (i = 0; i < a->taus; i++) {
    row *r = &s->rows[s->count++];
    memset(r, 0, sizeof *r);
    r->kind = kind;
    r->seed = seed;
    r->tau = tau_of(a, i);
    r->limit = sigma[0] / (double)n;
    mix(ctx, a, G, M, r);
    if (r->usable) lose_signal(a, M, r);
  }
  if (seed == a->first_seed) {
    memset(&at_one, 0, sizeof at_one);
    at_one.kind = kind;
    at_one.tau = 1;
    mix(ctx, a, G, M, &at_one);
    if (at_one.usable) {
      stagnate(ctx, n, kind, M, at_one.mixing.sigma_2, s->kept + s->residuals);
      s->residuals += SHARES;
    }
  }
  free(G);
  free(M);
  free(sigma);
}

static void study_all(const invman_context *ctx, const arguments *a, study *s) {
  size_t seed;
  int kind;
  memset(s, 0, sizeof *s);
  s->rows = (row *)malloc(KINDS * a->seeds * a->taus * sizeof(row));
  if (!s->rows) fail("out of memory");
  for (kind = 0; kind < KINDS; kind++)
    for (seed = 0; seed < (is_random(kind) ? a->seeds : 1); seed++) study_logits(ctx, a, kind, a->first_seed + seed, s);
}

/* ---- what comes out */

static void show(int width, double value) {
  if (!known(value)) printf(" %*s", width, "-");
  else if (value > DBL_MAX) printf(" %*s", width, "infinite");
  else printf(" %*.4g", width, value);
}

static void show_temperatures(const arguments *a, const study *s) {
  size_t i, step = a->taus > 8 ? (a->taus + 7) / 8 : 1;
  printf("\ntemperature: what a layer keeps of the detail (sigma_2), and bounds, which say nothing above 1\n");
  printf("%-10s %8s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "logits", "tau", "sigma_2", "exact", "by least",
         "by norm", "by entr.", "share", "to 1 %", "tau sig.", "limit", "residual");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    const invman_mixing *m = &r->mixing;
    if (r->seed != a->first_seed || i % a->taus % step != 0) continue;
    printf("%-10s %8.3g", kind_names[r->kind], r->tau);
    show(9, r->usable ? m->sigma_2 : unknown);
    show(9, r->exact);
    show(9, r->usable ? m->by_least : unknown);
    show(9, r->usable ? m->by_norm[1] : unknown);
    show(9, r->usable ? m->by_entropy : unknown);
    show(9, r->usable ? m->share : unknown);
    show(9, r->depth);
    show(9, r->usable ? r->tau * m->sigma_2 : unknown);
    show(9, r->limit);
    printf(" %9.1e%s\n", r->info.residual, r->converged ? "" : "  not converged");
  }
}

/* Where a layer neither keeps all nor nothing. */
static int is_telling(const row *r) { return r->usable && r->predicted >= 1 && r->predicted <= (double)LAYERS_MAX; }

static void show_depths(const arguments *a, const study *s) {
  size_t i, shown = 0, telling = 0, step;
  for (i = 0; i < s->count; i++) telling += s->rows[i].seed == a->first_seed && is_telling(&s->rows[i]);
  step = telling > 24 ? (telling + 23) / 24 : 1;
  printf("\nfirst layer at which LayerNorm's output has a mean cosine below %g with the clean one, snr %g before\n",
         a->cosine, a->snr);
  printf("%-10s %8s %9s %10s %10s %10s %10s %9s %9s %9s %9s %9s\n", "logits", "tau", "sigma_2", "at most", "slowest x",
         "random x", "by its snr", "cosine", "by snr", "bound", "noise", "of mode");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    if (r->seed != a->first_seed || !is_telling(r) || shown++ % step != 0) continue;
    printf("%-10s %8.3g", kind_names[r->kind], r->tau);
    show(9, r->mixing.sigma_2);
    show(10, r->predicted);
    show(10, r->slowest.layer);
    show(10, r->random.layer);
    show(10, r->random.by_signal);
    show(9, r->random.cosine);
    show(9, r->random.predicted);
    show(9, r->random.bound);
    show(9, is_symmetric(r->kind) ? r->slowest.noise : unknown);
    show(9, is_symmetric(r->kind) ? mode_noise(r) : unknown);
    printf("%s\n", r->converged ? "" : "  not converged");
  }
}

static void show_chains(const arguments *a, const study *s) {
  size_t i;
  printf("\na chain, one layer per temperature: layers until 1 %% of the detail is left, at most\n");
  printf("%-10s %8s %9s %9s %9s %9s\n", "logits", "layers", "mean", "of mean", "rising", "falling");
  for (i = 0; i < s->count; i += a->taus) {
    chain c = heat(s->rows + i, a->taus);
    if (c.first->seed != a->first_seed) continue;
    printf("%-10s %8lu", kind_names[c.first->kind], (unsigned long)c.layers);
    show(9, c.mean);
    show(9, c.depth_of_mean);
    show(9, c.depth_rising);
    show(9, c.depth_falling);
    putchar('\n');
  }
}

static void show_residuals(const study *s) {
  size_t i;
  printf("\nresidual mixing (1 - a) 1 + a M at tau = 1: detail survives as the layer does less\n");
  printf("%-10s %8s %9s %9s %9s %9s %9s\n", "logits", "a", "sigma_2", "at most", "to 1 %", "|M_a - 1|", "at most");
  for (i = 0; i < s->residuals; i++) {
    const residual *r = &s->kept[i];
    if (r->kind != SYMMETRIC && r->kind != CIRCULANT) continue;
    printf("%-10s %8.3g", kind_names[r->kind], r->a);
    show(9, r->sigma_2);
    show(9, r->bound);
    show(9, r->depth);
    show(9, r->change);
    show(9, 2 * r->a);
    putchar('\n');
  }
}

static void write_temperatures(const arguments *a, const study *s) {
  size_t i;
  table t = begin_table(a, "temperature.csv",
                        "depth: layers until 1 % of the detail is left; limit: of tau sigma_2 for high tau");
  fprintf(t.file,
          "logits,seed,tau,sweeps,residual,status,sigma_2,exact,entropy_share,by_least,by_norm_low,by_norm_high,"
          "by_entropy,depth,tau_sigma_2,limit\n");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    const invman_mixing *m = &r->mixing;
    fprintf(t.file, "%s,%lu,%.9g,%lu,%.3g,%s", kind_names[r->kind], (unsigned long)r->seed, r->tau,
            (unsigned long)r->info.sweeps, r->info.residual,
            r->converged ? "converged"
            : r->usable  ? "not converged"
                         : "not doubly stochastic");
    put(t.file, r->usable ? m->sigma_2 : unknown);
    put(t.file, r->exact);
    put(t.file, r->usable ? m->share : unknown);
    put(t.file, r->usable ? m->by_least : unknown);
    put(t.file, r->usable ? m->by_norm[0] : unknown);
    put(t.file, r->usable ? m->by_norm[1] : unknown);
    put(t.file, r->usable ? m->by_entropy : unknown);
    put(t.file, r->depth);
    put(t.file, r->usable ? r->tau * m->sigma_2 : unknown);
    put(t.file, r->limit);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_depths(const arguments *a, const study *s) {
  size_t i;
  table t = begin_table(a, "depth.csv",
                        "predicted: at most so many layers, but for a part of one; slowest, random: by LayerNorm's "
                        "mean cosine, of the input whose detail "
                        "lasts longest in a layer, and of a random one; by_signal: of that one, by its ratio of signal "
                        "to noise; empty: more than 1000; at random: cosine, mean, by the ratio, and bound "
                        "with probability 1 - 3 e^-3; at slowest: noise power in that mode, of 1 from each layer, by "
                        "the layers and in closed form");
  fprintf(t.file,
          "logits,seed,tau,status,sigma_2,predicted,slowest,random,by_signal,cosine,cosine_predicted,cosine_bound,"
          "noise,noise_predicted\n");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    if (!r->usable) continue;
    fprintf(t.file, "%s,%lu,%.9g,%s", kind_names[r->kind], (unsigned long)r->seed, r->tau,
            r->converged ? "converged" : "not converged");
    put(t.file, r->mixing.sigma_2);
    put(t.file, r->predicted);
    put(t.file, r->slowest.layer);
    put(t.file, r->random.layer);
    put(t.file, r->random.by_signal);
    put(t.file, r->random.cosine);
    put(t.file, r->random.predicted);
    put(t.file, r->random.bound);
    put(t.file, is_symmetric(r->kind) ? r->slowest.noise : unknown);
    put(t.file, is_symmetric(r->kind) ? mode_noise(r) : unknown);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_chains(const arguments *a, const study *s) {
  size_t i;
  table t = begin_table(a, "chain.csv",
                        "one layer per temperature, without those that are not doubly stochastic; sigma_2: geometric "
                        "mean; depths: until 1 % of the detail is left, at most; inf: the chain is shorter");
  fprintf(t.file, "logits,seed,layers,sigma_2,depth_of_mean,depth_rising,depth_falling\n");
  for (i = 0; i < s->count; i += a->taus) {
    chain c = heat(s->rows + i, a->taus);
    fprintf(t.file, "%s,%lu,%lu", kind_names[c.first->kind], (unsigned long)c.first->seed, (unsigned long)c.layers);
    put(t.file, c.mean);
    put(t.file, c.depth_of_mean);
    put(t.file, c.depth_rising);
    put(t.file, c.depth_falling);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_residuals(const arguments *a, const study *s) {
  size_t i;
  table t = begin_table(a, "residual.csv", "at tau = 1; change: |M_a - 1|_2; depth: until 1 % of the detail is left");
  fprintf(t.file, "logits,a,sigma_2,sigma_2_at_most,depth,change,change_at_most\n");
  for (i = 0; i < s->residuals; i++) {
    const residual *r = &s->kept[i];
    fprintf(t.file, "%s,%g", kind_names[r->kind], r->a);
    put(t.file, r->sigma_2);
    put(t.file, r->bound);
    put(t.file, r->depth);
    put(t.file, r->change);
    put(t.file, 2 * r->a);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

int main(int argc, char **argv) {
  invman_context ctx;
  arguments a;
  static study s;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  parse(argc, argv, &a);
  check_writable(&a);
  study_all(&ctx, &a, &s);
  printf("n = %lu, %lu temperatures, %lu seeds of random logits (shown: the first)\n", (unsigned long)a.n,
         (unsigned long)a.taus, (unsigned long)a.seeds);
  show_temperatures(&a, &s);
  show_depths(&a, &s);
  show_chains(&a, &s);
  show_residuals(&s);
  if (a.out) {
    putchar('\n');
    write_temperatures(&a, &s);
    write_depths(&a, &s);
    write_chains(&a, &s);
    write_residuals(&a, &s);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free(s.rows);
  return 0;
}
