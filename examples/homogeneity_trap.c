/* Doubly stochastic mixing forgets: how much of the detail a layer M(tau) keeps at a temperature, how many layers it
   takes until LayerNorm amplifies noise alone, what changes where the temperature rises or falls from layer to layer,
   and what a residual connection saves. In the sense of "The Homogeneity Trap" (arXiv 2601.02080): the bounds shown
   are those that invman.h documents, not quotations of that paper.

   cc -O2 examples/homogeneity_trap.c -o homogeneity_trap -lm
   ./homogeneity_trap --n 32 --out trap */
#define INVMAN_IMPLEMENTATION
#include "tool.h"

enum { LAYERS_MOST = 1000 };

typedef struct arguments {
  const char *out;
  size_t n, sweeps, draws;
  ratios taus;
  range seeds;
  double cosine, snr;
} arguments;

static arguments asked;

static void read_cosine(const option *o, const char *word) {
  asked.cosine = positive_number(o, word);
  if (asked.cosine >= 1) fail("%s must be below 1", o->flag);
}

static const option options[] = {
    {"--n", "N", read_whole, &asked.n, 4, 0, "32", "what is mixed: N tokens, at least 4", 0},
    {"--tau-range", "LOW:HIGH:N", read_ratios, &asked.taus, 1, 1000, "0.1:30:25",
     "N temperatures from LOW to HIGH, in equal ratios", 0},
    {"--seeds", "A:B", read_range, &asked.seeds, 0, 1000, "1:3", "of the random logits, A to B", 0},
    {"--cosine", "C", read_cosine, &asked.cosine, 0, 0, "0.5",
     "the signal is lost where its mean cosine with the clean one is below this", 0},
    {"--snr", "S", read_positive, &asked.snr, 0, 0, "100", "ratio of signal to noise before the first layer", 0},
    {"--sweeps", "N", read_whole, &asked.sweeps, 1, 0, "2000", "Sinkhorn's sweeps at most", 0},
    {"--draws", "N", read_whole, &asked.draws, 1, 0, "200", "of the noise, for a mean cosine", 0},
    {"--out", "DIR", read_folder, &asked.out, 0, 0, NULL,
     "for temperature.csv, depth.csv, chain.csv and residual.csv, made if need be", 0},
};

static const program description = {
    "homogeneity_trap",
    "what doubly stochastic mixing leaves of its input's detail, by temperature and by depth",
    NULL,
    "  homogeneity_trap --n 64 --tau-range 0.2:10:30 --out trap\n"
    "\n"
    "M(tau) is the doubly stochastic matrix of largest <M,G> + tau entropy. Logits G, all of mean square 1 about their "
    "mean: random N(0,1); symmetric, random; diagonal g 1; circulant sqrt(2) cos(2 pi (i-j)/n); blocks, equal within.\n"
    "Where the signal is lost: the mean cosine there, what its ratio to the noise predicts, and the bound on |cosine| "
    "that holds with probability 1 - 3 e^-3. Beside it, but for random logits, the power in the slowest mode after so "
    "many layers that add noise of power 1 each, and its closed form; for |mu| = 1 it would be the number of layers.\n"
    "A chain has one layer per temperature of the range; its depth is that of the product of their sigma_2. sigma_2 is "
    "the largest share of the detail (what is orthogonal to the constant vector) that a layer keeps.\n"
    "The trap is meant in the sense of arXiv 2601.02080; the bounds are those that invman.h documents. A temperature "
    "at "
    "which the sweeps did not converge says so; what is then not doubly stochastic is not measured. Ctrl-C ends the "
    "work "
    "early: what is known is shown, and written.\n"
    "\n"
    "Exit status: 0 done, though some temperatures may not have converged; 2 bad input, or a file cannot be written; 3 "
    "interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

static double tau_of(const arguments *a, size_t i) {
  const ratios *t = &a->taus;
  return t->count > 1 ? t->low * pow(t->high / t->low, (double)i / (double)(t->count - 1)) : t->low;
}

/* ---- files */

enum { TEMPERATURE, DEPTH, CHAIN, RESIDUAL, FILES };
static const char *const file_names[FILES] = {"temperature.csv", "depth.csv", "chain.csv", "residual.csv"};

static void check_files_of(const arguments *a) {
  int i;
  need_folder(a->out);
  for (i = 0; i < FILES; i++) {
    char *path = joined(a->out, "/", file_names[i]);
    check_writable(path);
    free(path);
  }
}

static text begin_file(const arguments *a, const char *about) {
  text t = {NULL, 0, 0};
  put(&t, "# homogeneity_trap, invman.h %d.%d.%d: n = %lu, cosine %g, snr %g, at most %lu sweeps, %lu draws\n",
      INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, (unsigned long)a->n, a->cosine, a->snr,
      (unsigned long)a->sweeps, (unsigned long)a->draws);
  put(&t, "# logits: mean square 1 about their mean; %s\n", about);
  if (interrupted) put(&t, "# interrupted: rows are missing\n");
  return t;
}

static void end_file(const arguments *a, int which, text *t) {
  char *path = joined(a->out, "/", file_names[which]);
  if (save(path, t)) show("%-12s %s\n", "written", path);
  free(path);
}

/* ---- the logits */

enum { RANDOM, SYMMETRIC, DIAGONAL, CIRCULANT, BLOCKS, KINDS };
static const char *const kind_names[KINDS] = {"random", "symmetric", "diagonal", "circulant", "blocks"};
static int is_random(int kind) { return kind <= SYMMETRIC; }
static int is_symmetric(int kind) { return kind != RANDOM; }

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
  if (interrupted) return;
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
  for (layer = 0; layer <= LAYERS_MOST && !(known(out.by_signal) && known(out.layer)); layer++) {
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
  if (!(r->predicted <= (double)LAYERS_MOST)) return;
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
    check(invman_mix_with_identity(ctx, A, n, shares[k]), "residual");
    check(invman_centred_singular_values(ctx, A, n, sigma), "residual");
    out[k].kind = kind;
    out[k].a = shares[k];
    out[k].sigma_2 = sigma[0];
    out[k].bound = 1 - shares[k] + shares[k] * sigma_2;
    out[k].depth = invman_effective_depth(sigma[0], 0.01);
    for (i = 0; i < n; i++) A[i * n + i] -= 1; /* M_a - 1 has no constant part: what is left is its norm */
    check(invman_centred_singular_values(ctx, A, n, sigma), "residual");
    out[k].change = sigma[0];
  }
  free(A);
  free(sigma);
}

/* ---- all of it */

typedef struct study {
  row *rows;
  double work; /* rows in all */
  size_t count, residuals;
  residual kept[KINDS * SHARES];
} study;

static void study_logits(const invman_context *ctx, const arguments *a, int kind, size_t seed, study *s) {
  size_t n = a->n, i;
  double *G = numbers(n, n), *M = numbers(n, n), *sigma = numbers(n, 1);
  row at_one;
  make_logits(kind, n, seed, G);
  check(invman_centred_singular_values(ctx, G, n, sigma), "logits");
  for (i = 0; i < a->taus.count && !interrupted; i++) {
    row *r = &s->rows[s->count];
    begin_stage((double)s->count / s->work, 1 / s->work, "%s, seed %lu, tau = %.3g", kind_names[kind],
                (unsigned long)seed, tau_of(a, i));
    progress("", 0, NULL);
    memset(r, 0, sizeof *r);
    r->kind = kind;
    r->seed = seed;
    r->tau = tau_of(a, i);
    r->limit = sigma[0] / (double)n;
    mix(ctx, a, G, M, r);
    if (interrupted) break;
    if (r->usable) lose_signal(a, M, r);
    s->count++;
  }
  if (seed == a->seeds.first && !interrupted) {
    memset(&at_one, 0, sizeof at_one);
    at_one.kind = kind;
    at_one.tau = 1;
    mix(ctx, a, G, M, &at_one);
    if (at_one.usable && !interrupted) {
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
  s->rows = (row *)zeros(KINDS * a->seeds.count, a->taus.count, sizeof(row));
  s->work = (double)((2 * a->seeds.count + KINDS - 2) * a->taus.count); /* two kinds are random */
  for (kind = 0; kind < KINDS; kind++)
    for (seed = 0; seed < (is_random(kind) ? a->seeds.count : 1) && !interrupted; seed++)
      study_logits(ctx, a, kind, a->seeds.first + seed, s);
}

/* ---- what comes out */

static void show_value(int width, double value) {
  if (!known(value)) show(" %*s", width, "-");
  else if (value > DBL_MAX) show(" %*s", width, "infinite");
  else show(" %*.4g", width, value);
}

static void show_temperatures(const arguments *a, const study *s) {
  size_t i, step = a->taus.count > 8 ? (a->taus.count + 7) / 8 : 1;
  show("\ntemperature: what a layer keeps of the detail (sigma_2), and bounds, which say nothing above 1\n");
  show("%-10s %8s %9s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "logits", "tau", "sigma_2", "exact", "by least",
       "by norm", "by entr.", "share", "to 1 %", "tau sig.", "limit", "residual");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    const invman_mixing *m = &r->mixing;
    if (r->seed != a->seeds.first || i % a->taus.count % step != 0) continue;
    show("%-10s %8.3g", kind_names[r->kind], r->tau);
    show_value(9, r->usable ? m->sigma_2 : unknown);
    show_value(9, r->exact);
    show_value(9, r->usable ? m->by_least : unknown);
    show_value(9, r->usable ? m->by_norm[1] : unknown);
    show_value(9, r->usable ? m->by_entropy : unknown);
    show_value(9, r->usable ? m->share : unknown);
    show_value(9, r->depth);
    show_value(9, r->usable ? r->tau * m->sigma_2 : unknown);
    show_value(9, r->limit);
    show(" %9.1e%s\n", r->info.residual, r->converged ? "" : "  not converged");
  }
}

/* Where a layer neither keeps all nor nothing. */
static int is_telling(const row *r) { return r->usable && r->predicted >= 1 && r->predicted <= (double)LAYERS_MOST; }

static void show_depths(const arguments *a, const study *s) {
  size_t i, shown = 0, telling = 0, step;
  for (i = 0; i < s->count; i++) telling += s->rows[i].seed == a->seeds.first && is_telling(&s->rows[i]);
  step = telling > 24 ? (telling + 23) / 24 : 1;
  show("\nfirst layer at which LayerNorm's output has a mean cosine below %g with the clean one, snr %g before\n",
       a->cosine, a->snr);
  show("%-10s %8s %9s %10s %10s %10s %10s %9s %9s %9s %9s %9s\n", "logits", "tau", "sigma_2", "at most", "slowest x",
       "random x", "by its snr", "cosine", "by snr", "bound", "noise", "of mode");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    if (r->seed != a->seeds.first || !is_telling(r) || shown++ % step != 0) continue;
    show("%-10s %8.3g", kind_names[r->kind], r->tau);
    show_value(9, r->mixing.sigma_2);
    show_value(10, r->predicted);
    show_value(10, r->slowest.layer);
    show_value(10, r->random.layer);
    show_value(10, r->random.by_signal);
    show_value(9, r->random.cosine);
    show_value(9, r->random.predicted);
    show_value(9, r->random.bound);
    show_value(9, is_symmetric(r->kind) ? r->slowest.noise : unknown);
    show_value(9, is_symmetric(r->kind) ? mode_noise(r) : unknown);
    show("%s\n", r->converged ? "" : "  not converged");
  }
}

static void show_chains(const arguments *a, const study *s) {
  size_t i;
  show("\na chain, one layer per temperature: layers until 1 %% of the detail is left, at most\n");
  show("%-10s %8s %9s %9s %9s %9s\n", "logits", "layers", "mean", "of mean", "rising", "falling");
  for (i = 0; i + a->taus.count <= s->count; i += a->taus.count) {
    chain c = heat(s->rows + i, a->taus.count);
    if (c.first->seed != a->seeds.first) continue;
    show("%-10s %8lu", kind_names[c.first->kind], (unsigned long)c.layers);
    show_value(9, c.mean);
    show_value(9, c.depth_of_mean);
    show_value(9, c.depth_rising);
    show_value(9, c.depth_falling);
    show("\n");
  }
}

static void show_residuals(const study *s) {
  size_t i;
  show("\nresidual mixing (1 - a) 1 + a M at tau = 1: detail survives as the layer does less\n");
  show("%-10s %8s %9s %9s %9s %9s %9s\n", "logits", "a", "sigma_2", "at most", "to 1 %", "|M_a - 1|", "at most");
  for (i = 0; i < s->residuals; i++) {
    const residual *r = &s->kept[i];
    if (r->kind != SYMMETRIC && r->kind != CIRCULANT) continue;
    show("%-10s %8.3g", kind_names[r->kind], r->a);
    show_value(9, r->sigma_2);
    show_value(9, r->bound);
    show_value(9, r->depth);
    show_value(9, r->change);
    show_value(9, 2 * r->a);
    show("\n");
  }
}

static void write_temperatures(const arguments *a, const study *s) {
  size_t i;
  text t = begin_file(a, "depth: layers until 1 % of the detail is left; limit: of tau sigma_2 for high tau");
  put(&t, "logits,seed,tau,sweeps,residual,status,sigma_2,exact,entropy_share,by_least,by_norm_low,by_norm_high,"
          "by_entropy,depth,tau_sigma_2,limit\n");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    const invman_mixing *m = &r->mixing;
    put(&t, "%s,%lu,%.9g,%lu,%.3g,%s", kind_names[r->kind], (unsigned long)r->seed, r->tau,
        (unsigned long)r->info.sweeps, r->info.residual,
        r->converged ? "converged"
        : r->usable  ? "not converged"
                     : "not doubly stochastic");
    put_value(&t, r->usable ? m->sigma_2 : unknown);
    put_value(&t, r->exact);
    put_value(&t, r->usable ? m->share : unknown);
    put_value(&t, r->usable ? m->by_least : unknown);
    put_value(&t, r->usable ? m->by_norm[0] : unknown);
    put_value(&t, r->usable ? m->by_norm[1] : unknown);
    put_value(&t, r->usable ? m->by_entropy : unknown);
    put_value(&t, r->depth);
    put_value(&t, r->usable ? r->tau * m->sigma_2 : unknown);
    put_value(&t, r->limit);
    put(&t, "\n");
  }
  end_file(a, TEMPERATURE, &t);
}

static void write_depths(const arguments *a, const study *s) {
  size_t i;
  text t =
      begin_file(a, "predicted: at most so many layers, but for a part of one; slowest, random: by LayerNorm's "
                    "mean cosine, of the input whose detail "
                    "lasts longest in a layer, and of a random one; by_signal: of that one, by its ratio of signal "
                    "to noise; empty: more than 1000; at random: cosine, mean, by the ratio, and bound "
                    "with probability 1 - 3 e^-3; at slowest: noise power in that mode, of 1 from each layer, by "
                    "the layers and in closed form");
  put(&t, "logits,seed,tau,status,sigma_2,predicted,slowest,random,by_signal,cosine,cosine_predicted,cosine_bound,"
          "noise,noise_predicted\n");
  for (i = 0; i < s->count; i++) {
    const row *r = &s->rows[i];
    if (!r->usable) continue;
    put(&t, "%s,%lu,%.9g,%s", kind_names[r->kind], (unsigned long)r->seed, r->tau,
        r->converged ? "converged" : "not converged");
    put_value(&t, r->mixing.sigma_2);
    put_value(&t, r->predicted);
    put_value(&t, r->slowest.layer);
    put_value(&t, r->random.layer);
    put_value(&t, r->random.by_signal);
    put_value(&t, r->random.cosine);
    put_value(&t, r->random.predicted);
    put_value(&t, r->random.bound);
    put_value(&t, is_symmetric(r->kind) ? r->slowest.noise : unknown);
    put_value(&t, is_symmetric(r->kind) ? mode_noise(r) : unknown);
    put(&t, "\n");
  }
  end_file(a, DEPTH, &t);
}

static void write_chains(const arguments *a, const study *s) {
  size_t i;
  text t = begin_file(a, "one layer per temperature, without those that are not doubly stochastic; sigma_2: geometric "
                         "mean; depths: until 1 % of the detail is left, at most; inf: the chain is shorter");
  put(&t, "logits,seed,layers,sigma_2,depth_of_mean,depth_rising,depth_falling\n");
  for (i = 0; i + a->taus.count <= s->count; i += a->taus.count) {
    chain c = heat(s->rows + i, a->taus.count);
    put(&t, "%s,%lu,%lu", kind_names[c.first->kind], (unsigned long)c.first->seed, (unsigned long)c.layers);
    put_value(&t, c.mean);
    put_value(&t, c.depth_of_mean);
    put_value(&t, c.depth_rising);
    put_value(&t, c.depth_falling);
    put(&t, "\n");
  }
  end_file(a, CHAIN, &t);
}

static void write_residuals(const arguments *a, const study *s) {
  size_t i;
  text t = begin_file(a, "at tau = 1; change: |M_a - 1|_2; depth: until 1 % of the detail is left");
  put(&t, "logits,a,sigma_2,sigma_2_at_most,depth,change,change_at_most\n");
  for (i = 0; i < s->residuals; i++) {
    const residual *r = &s->kept[i];
    put(&t, "%s,%g", kind_names[r->kind], r->a);
    put_value(&t, r->sigma_2);
    put_value(&t, r->bound);
    put_value(&t, r->depth);
    put_value(&t, r->change);
    put_value(&t, 2 * r->a);
    put(&t, "\n");
  }
  end_file(a, RESIDUAL, &t);
}

int main(int argc, char **argv) {
  invman_context ctx;
  const arguments *a = &asked;
  static study s;
  start(argc, argv, &description);
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &error;
  ctx.progress = progress;
  if (a->out) check_files_of(a);
  begin_work();
  study_all(&ctx, a, &s);
  show("n = %lu, %lu temperatures, %lu seeds of random logits (shown: the first)\n", (unsigned long)a->n,
       (unsigned long)a->taus.count, (unsigned long)a->seeds.count);
  show_temperatures(a, &s);
  show_depths(a, &s);
  show_chains(a, &s);
  show_residuals(&s);
  if (interrupted) show("\nstopped: %lu of %.0f rows are known\n", (unsigned long)s.count, s.work);
  if (a->out) {
    show("\n");
    write_temperatures(a, &s);
    write_depths(a, &s);
    write_chains(a, &s);
    write_residuals(a, &s);
  }
  free(s.rows);
  return finish(0);
}
