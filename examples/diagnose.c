/* What a Gram matrix tells, or a representation through its own: how many directions it has, what they know of the
   labels, how far the classes have collapsed, of what dimension the points are, which inputs the labels depend on;
   beside each number what chance gives.

   cc -O2 examples/diagnose.c -o diagnose -lm
   ./diagnose --features features.npy --labels labels.csv */
#define INVMAN_IMPLEMENTATION
#include "points.h"

typedef struct arguments {
  const char *gram, *features, *labels, *other;
  double gamma, sigma;
  size_t k, draws, seed, truth;
  int json;
} arguments;

static arguments asked;

static const option options[] = {
    {"--gram", "FILE", read_input, &asked.gram, 0, 0, NULL, "a Gram matrix, (n,n), symmetric", 0},
    {"--features", "FILE", read_input, &asked.features, 0, 0, NULL, "a representation, a row per point: K = X X'", 0},
    TABLE_OPTIONS("--csv"),
    {"--labels", "FILE", read_input, &asked.labels, 0, 0, NULL,
     "a number per point; equal numbers are one class. Two classes become -1, +1", 0},
    {"--other", "FILE", read_input, &asked.other, 0, 0, NULL,
     "a second Gram matrix of the same points: its centred alignment with the first (CKA)", 0},
    {"--gamma", "G", read_positive, &asked.gamma, 0, 0, NULL,
     "ridge of the leverages and of the effective dimension (mean eigenvalue)", 0},
    {"--k", "N", read_whole, &asked.k, 1, 0, NULL, "neighbours of the local dimension (20, or all there are)", 0},
    {"--sigma", "S", read_positive, &asked.sigma, 0, 0, NULL, "scale of the diffusion (median distance)", 0},
    {"--draws", "N", read_whole, &asked.draws, 0, 100000, "20",
     "random permutations of the labels for the null values, 0 for none", 0},
    {"--seed", "N", read_whole, &asked.seed, 0, 0, "1", "of the permutations", 0},
    {"--truth", "N", read_whole, &asked.truth, 1, 0, NULL,
     "with --features or --csv: the first N inputs are known to be the informative ones", 0},
    {"--json", NULL, read_switch, &asked.json, 0, 0, NULL, "one JSON object in place of the table", 0},
};

static const program description = {
    "diagnose",
    "spectrum, labels, neural collapse, dimension and entropy of a Gram matrix, beside what chance gives",
    "  diagnose --gram FILE [options]\n"
    "  diagnose --features FILE [options]\n"
    "  diagnose --csv FILE [options]",
    "  diagnose --gram K.npy --labels y.npy --other K_before.npy\n"
    "  diagnose --features points.csv --labels labels.csv --json\n"
    "  diagnose --csv cancer.csv --label-column diagnosis --positive M --drop id --standardise\n"
    "\n"
    "Files: .npy of NumPy (versions 1 to 3, numbers of any byte order, one or two dimensions), or text: numbers "
    "separated by commas, semicolons, tabs or spaces, a row a line, perhaps a line of names first, # for "
    "comments.\n"
    "What rounding may leave of symmetry, of an eigenvalue 0 and of a distance 0 follows from the file's numbers: "
    "double, single or half precision. Doubles and text that hold no more than single precision count as it.\n"
    "null: the same number for permuted labels (CKA: permuted points), its mean, and of all draws the one that "
    "looks most like a signal. - (JSON: null) stands for what is not defined, and the reason beside it. Entropies "
    "are in nats, but for those in bits. About 6 n^2 doubles of memory, and a time in proportion to n^3.\n"
    "\n"
    "Exit status: 0 done; 2 bad input; 3 interrupted: what is known is shown.",
    NULL,
    options,
    sizeof options / sizeof *options};

static void complete(const arguments *a) {
  check_point_options("--csv");
  if ((a->gram != NULL) + (a->features != NULL) + (source.csv != NULL) != 1)
    fail("give one of --gram and --features, or --csv; see --help");
  if (a->labels && source.csv) fail("--labels: the table of --csv has them");
  if (a->truth && a->gram) fail("--truth: only --features have inputs");
}

/* ---- tables of numbers in files */

/* Whether a number is one of this many decimal digits. */
static int has_digits(double value, int digits) {
  char shown[32];
  snprintf(shown, sizeof shown, "%.*g", digits, value);
  return strtod(shown, NULL) == value;
}

/* The spacing of the numbers in a file, which may be wider than its type's: whole numbers that the type holds are exact,
   and all others are of single precision where they are floats, or of nine digits, and most need more than six. */
static double precision(const table *t) {
  size_t i, count = t->rows * t->columns, others = 0, fine = 0;
  for (i = 0; i < count; i++) {
    double v = t->value[i];
    if (v == floor(v) && fabs(v) < 2 / t->eps) continue;
    others++;
    if (t->eps > DBL_EPSILON) continue;
    if (!(fabs(v) <= (double)FLT_MAX && v == (double)(float)v) && !has_digits(v, 9)) return DBL_EPSILON;
    fine += !has_digits(v, 6);
  }
  if (others == 0) return DBL_EPSILON;
  return t->eps > DBL_EPSILON || fine <= others / 2 ? t->eps : (double)FLT_EPSILON;
}

static table read_numbers_of(const char *path) {
  table t = read_table(path);
  t.eps = precision(&t);
  return t;
}

/* Two different numbers with as many digits as show that they differ. */
static void show_apart(double a, double b, char shown[2][32]) {
  int digits;
  for (digits = 6; digits <= 17; digits++) {
    snprintf(shown[0], 32, "%.*g", digits, a);
    snprintf(shown[1], 32, "%.*g", digits, b);
    if (strcmp(shown[0], shown[1])) return;
  }
}

/* Square and symmetric to 1e-8 of its largest element, or to what the precision of its numbers may leave; the mean of
   K_ij and K_ji is taken. eps: of the numbers; skew: how much of the largest element they differ by. */
static double *read_gram(const char *path, size_t *n, double *eps, double *skew) {
  table t = read_numbers_of(path);
  double largest = 0, tolerance = 32 * t.eps > 1e-8 ? 32 * t.eps : 1e-8;
  char shown[2][32];
  size_t i, j;
  if (t.rows != t.columns)
    fail("%s: a Gram matrix is square, this one has %lu rows and %lu columns", path, (unsigned long)t.rows,
         (unsigned long)t.columns);
  *n = t.rows;
  *eps = t.eps;
  *skew = 0;
  for (i = 0; i < *n * *n; i++) largest = fabs(t.value[i]) > largest ? fabs(t.value[i]) : largest;
  for (i = 0; i < *n; i++)
    for (j = 0; j < i; j++) {
      double *a = &t.value[i * *n + j], *b = &t.value[j * *n + i];
      if (*a == *b) continue;
      if (!(fabs(*a - *b) <= tolerance * largest)) {
        show_apart(*b, *a, shown);
        fail("%s: not symmetric: %s in row %lu, column %lu, but %s in row %lu, column %lu", path, shown[0],
             (unsigned long)j + 1, (unsigned long)i + 1, shown[1], (unsigned long)i + 1, (unsigned long)j + 1);
      }
      if (fabs(*a - *b) / largest > *skew) *skew = fabs(*a - *b) / largest;
      *a = *b = *a + (*b - *a) / 2;
    }
  return t.value;
}

/* ---- the report: what was measured, and what stands beside it */

typedef struct quantity {
  const char *section, *key, *name;
  double value, null_mean, null_best;
  double bound;
  const char *bound_is, *bound_name; /* "at_most" or "at_least", and its formula */
  char remark[128];
} quantity;

enum { QUANTITIES = 64, NOTES = 16, SHOWN = 10 };

/* Of the labels alone, with --features: the directions that they know. */
typedef struct directions {
  int measured;
  size_t d, found;
  double *strength, *V, noise, mean_off, variance_off, angle;
} directions;

typedef struct report {
  quantity list[QUANTITIES];
  size_t count, notes;
  char note[NOTES][256];
} report;

static quantity *add(report *r, const char *section, const char *key, const char *name, double value) {
  quantity *q = &r->list[r->count < QUANTITIES - 1 ? r->count++ : r->count];
  memset(q, 0, sizeof *q);
  q->section = section;
  q->key = key;
  q->name = name;
  q->value = value;
  q->null_mean = q->null_best = q->bound = unknown;
  return q;
}

static void bounded(quantity *q, const char *is, double bound, const char *name) {
  q->bound_is = is;
  q->bound = bound;
  q->bound_name = name;
}

static void remark(quantity *q, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  vsnprintf(q->remark, sizeof q->remark, format, rest);
  va_end(rest);
}

static void note(report *r, const char *format, ...) {
  va_list rest;
  if (r->notes == NOTES) return;
  va_start(rest, format);
  vsnprintf(r->note[r->notes++], sizeof r->note[0], format, rest);
  va_end(rest);
}

/* Whether a call of the library has a result. What it refuses of this matrix is not defined, which the report says;
   only memory is a reason to end. */
static int defined(invman_status status, quantity *q) {
  if (status >= 0) return 1;
  if (status == INVMAN_E_NOMEM || status == INVMAN_E_SIZE) check(status, "memory");
  q->value = unknown;
  remark(q, "%s", error.what ? error.what : invman_status_string(status));
  return 0;
}

/* ---- the null: the same number for permuted labels */

typedef struct chance {
  double sum, best;
  size_t draws;
} chance;

static void see(chance *c, double value, int sign) { /* sign: of a signal */
  c->sum += value;
  if (c->draws++ == 0 || sign * (value - c->best) > 0) c->best = value;
}

static void beside(quantity *q, const chance *c) {
  if (c->draws == 0) return;
  q->null_mean = c->sum / (double)c->draws;
  q->null_best = c->best;
}

static size_t below(invman_rng *rng, size_t n) { return (size_t)(invman_rng_uniform(rng) * (double)n); }

static void shuffle(double *y, size_t n, invman_rng *rng) {
  size_t i;
  for (i = n; i > 1; i--) {
    size_t j = below(rng, i);
    double kept = y[i - 1];
    y[i - 1] = y[j];
    y[j] = kept;
  }
}

/* A (n,n) with its points in random order. */
static void reorder(const double *A, size_t n, invman_rng *rng, double *out) {
  double *order = numbers(n, 1);
  size_t i, j;
  for (i = 0; i < n; i++) order[i] = (double)i;
  shuffle(order, n, rng);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) out[i * n + j] = A[(size_t)order[i] * n + (size_t)order[j]];
  free(order);
}

/* ---- what is measured */

enum { STREAM_LABELS = 11, STREAM_BITS, STREAM_ORDER, STREAM_SUBSETS, STREAM_STEIN, STREAM_OTHER };

typedef struct problem {
  invman_context ctx;
  arguments a;
  size_t n, d; /* d 0: a Gram matrix */
  double eps;  /* the spacing of the file's numbers near 1 */
  double tol;  /* eigenvalues up to this share of the largest are 0 to that precision */
  double *x, *K, *U, *lambda, *D;
  double *L,
      other_skew; /* the other Gram matrix, NULL: none; how much of its largest element K_ij and K_ji differ by */
  double *y;      /* NULL: no labels */
  double *sign;   /* of two classes: -1, +1; else NULL */
  size_t classes, least; /* points of the smallest class */
  size_t rank;           /* of K */
  directions found;
  report r;
  point_set own; /* of --csv */
  char *advice;  /* on it */
} problem;

static void measure_spectrum(problem *p) {
  static const char *const s = "spectrum";
  const invman_context *ctx = &p->ctx;
  report *r = &p->r;
  invman_spectrum m;
  double n = (double)p->n, entropy = unknown, most = n;
  const char *most_is = "n";
  quantity *q;
  check(invman_spectral_measures(ctx, p->lambda, p->n, 0, p->tol, &m), "spectrum");
  if (p->eps <= DBL_EPSILON) { /* else all that rounding left counts in these sums, though not in the rank */
    most = (double)m.rank;
    most_is = "rank";
  }
  add(r, s, "sum", "sum of eigenvalues", m.sum);
  if (!(m.sum > 0)) {
    note(r, "K has no positive eigenvalue: its spectrum says nothing");
    return;
  }
  bounded(add(r, s, "entropy", "entropy", m.entropy), "at_most", log(n), "ln n");
  bounded(add(r, s, "effective_rank", "effective rank, e^entropy", m.effective_rank), "at_most", most, most_is);
  bounded(add(r, s, "participation_ratio", "participation ratio", m.participation_ratio), "at_most", m.effective_rank,
          "effective rank");
  bounded(add(r, s, "stable_rank", "stable rank", m.stable_rank), "at_most", most, most_is);
  bounded(add(r, s, "anisotropy", "anisotropy, largest share", m.anisotropy), "at_least", 1 / n, "1/n");
  p->rank = m.rank;
  q = add(r, s, "rank", "rank", (double)m.rank);
  bounded(q, "at_most", n, "n");
  if (p->eps > DBL_EPSILON) remark(q, "eigenvalues above %.2g of the largest", p->tol);
  /* Of the trace, and of all that the first 0 .. n-1 directions leave: 1 where one has all, (n+1)/2 where they share. */
  q = add(r, s, "unexplained_area", "area of unexplained variance",
          invman_unexplained_area(p->lambda, p->n, p->n - 1) / m.sum);
  bounded(q, "at_most", (n + 1) / 2, "(n+1)/2");
  q = add(r, s, "von_neumann_entropy", "von Neumann entropy", unknown);
  if (defined(invman_von_neumann_entropy(ctx, p->K, p->n, &entropy), q)) {
    q->value = entropy;
    bounded(q, "at_most", log(n), "ln n");
  }
  if (p->lambda[p->n - 1] < -larger(1e-8, p->tol) * p->lambda[0])
    note(r, "K is not positive semi-definite: its least eigenvalue is %g; those below 0 count as 0",
         p->lambda[p->n - 1]);
}

static void measure_leverage(problem *p) {
  static const char *const s = "spectrum";
  double sum = 0, gamma, d_eff, most = 0, *tau;
  size_t i, rank = 0;
  quantity *q;
  for (i = 0; i < p->n; i++) {
    sum += larger(p->lambda[i], 0);
    rank += p->lambda[i] > (double)p->n * DBL_EPSILON * p->lambda[0];
  }
  gamma = p->a.gamma > 0 ? p->a.gamma : sum / (double)p->n;
  if (!(gamma > 0)) return;
  tau = numbers(p->n, 1);
  q = add(&p->r, s, "effective_dimension", "effective dimension", unknown);
  remark(q, "ridge gamma = %.6g", gamma);
  if (defined(invman_ridge_leverage(&p->ctx, p->lambda, p->U, p->n, gamma, tau, &d_eff), q)) {
    q->value = d_eff;
    bounded(q, "at_most", smaller((double)rank, sum / gamma), "min(rank, sum/gamma)");
    for (i = 0; i < p->n; i++) most = larger(most, tau[i]);
    q = add(&p->r, s, "leverage", "largest ridge leverage", most);
    bounded(q, "at_least", d_eff / (double)p->n, "effective dimension/n");
  }
  free(tau);
}

enum { ALIGNMENT, POWER_1, POWER_10, NORM, LABEL_NUMBERS, WITHIN = LABEL_NUMBERS };

/* Of labels -1, +1, and the share of the labels that the norm is of: what is within K's rank. Returns the status of the
   first that is not defined. */
static invman_status label_numbers(const problem *p, const double *y, double *power, double out[WITHIN + 1]) {
  size_t used = 0;
  const invman_context *ctx = &p->ctx;
  invman_status status = invman_target_alignment(ctx, p->K, y, p->n, &out[ALIGNMENT]);
  if (status >= 0) status = invman_cumulative_power(ctx, p->U, y, p->n, power);
  if (status < 0) return status;
  out[POWER_1] = power[0];
  out[POWER_10] = power[p->n < 10 ? p->n - 1 : 9];
  status = invman_rkhs_norm(ctx, p->lambda, p->U, y, p->n, p->tol, &out[NORM], &used);
  out[WITHIN] = used > 0 ? power[used - 1] : 0;
  return status;
}

static void measure_bits(problem *p) {
  quantity *q = add(&p->r, "labels", "information", "information of component 1, bits", unknown);
  double bits, mean, deviation, share = (double)p->least / (double)p->n;
  invman_rng rng;
  if (p->least <= 5) {
    remark(q, "needs more than 5 points of each class");
    return;
  }
  if (!defined(invman_mutual_information(&p->ctx, p->U, 1, p->sign, p->n, NULL, &bits), q)) return;
  q->value = bits;
  bounded(q, "at_most", -(share * log(share) + (1 - share) * log(1 - share)) / log(2.0), "the labels' entropy");
  if (p->a.draws == 0) return;
  invman_rng_seed(&rng, p->a.seed, STREAM_BITS);
  check(invman_mutual_information_null(&p->ctx, p->U, 1, p->sign, p->n, NULL, p->a.draws, &rng, &mean, &deviation),
        "information");
  q->null_mean = mean;
  if (p->a.draws > 1) remark(q, "the null's deviation: %.3g", deviation);
}

static void measure_labels(problem *p) {
  static const char *const key[] = {"alignment", "label_power_1", "label_power_10", "rkhs_norm2"};
  static const char *const name[] = {"kernel-target alignment", "labels in component 1", "labels in components 1 to 10",
                                     "squared RKHS norm of labels"};
  static const int sign[] = {1, 1, 1, -1};
  double *power = numbers(p->n, 1), *y = numbers(p->n, 1), value[WITHIN + 1], drawn[WITHIN + 1];
  chance c[LABEL_NUMBERS];
  invman_status status;
  invman_rng rng;
  size_t i;
  quantity *q;
  memset(c, 0, sizeof c);
  status = label_numbers(p, p->sign, power, value);
  if (status < 0) {
    defined(status, add(&p->r, "labels", key[ALIGNMENT], name[ALIGNMENT], unknown));
  } else {
    memcpy(y, p->sign, p->n * sizeof *y);
    invman_rng_seed(&rng, p->a.seed, STREAM_LABELS);
    for (i = 0; i < p->a.draws; i++) {
      int m;
      shuffle(y, p->n, &rng);
      check(label_numbers(p, y, power, drawn), "labels");
      for (m = 0; m < LABEL_NUMBERS; m++) see(&c[m], drawn[m], sign[m]);
    }
    for (i = 0; i < LABEL_NUMBERS; i++) {
      q = add(&p->r, "labels", key[i], name[i], value[i]);
      beside(q, &c[i]);
      if (i != NORM) bounded(q, "at_most", 1, "all");
      if (i == NORM && value[WITHIN] < 1 - 1e-9) { /* of a part of the labels: a larger part has a larger norm */
        q->null_best = unknown;
        remark(q, "of the %.4g of the labels within K's rank", value[WITHIN]);
      }
      if (i == ALIGNMENT) remark(q, "%.4g for K = 1", 1 / sqrt((double)p->n));
      if (i == POWER_1) remark(q, "%.4g for a random direction", 1 / (double)p->n);
      if (i == POWER_10) remark(q, "%.4g for random ones", smaller(10, (double)p->n) / (double)p->n);
    }
    measure_bits(p);
  }
  free(power);
  free(y);
}

enum { COLLAPSE_NUMBERS = 6 };

static invman_status collapse_numbers(const problem *p, const double *y, double out[COLLAPSE_NUMBERS]) {
  invman_collapse c;
  invman_status status = invman_neural_collapse(&p->ctx, p->K, y, p->n, &c);
  if (status < 0) return status;
  out[0] = c.nc1_trace;
  out[1] = c.nc1;
  out[2] = c.nc2_norms;
  out[3] = c.nc2_angles;
  out[4] = c.uncentred_cosine;
  out[5] = c.nearest_mean_error;
  return status;
}

/* Whether all points are one, up to what rounding leaves between them. */
static int all_equal(const problem *p) {
  double most = 0;
  size_t i;
  for (i = 0; i < p->n * p->n; i++) most = larger(most, p->D[i]);
  return !(most > 0);
}

static void measure_collapse(problem *p) {
  static const char *const key[] = {"nc1_trace",         "nc1", "nc2_norms", "nc2_angles", "uncentred_cosine",
                                    "nearest_mean_error"};
  static const char *const name[] = {"NC1, tr within/tr between", "NC1, tr(within between^+)/C",
                                     "NC2, spread of norms",      "NC2, cosines from -1/(C-1)",
                                     "uncentred means' cosine",   "NC4, nearest mean's error"};
  double value[COLLAPSE_NUMBERS], drawn[COLLAPSE_NUMBERS], *y = numbers(p->n, 1);
  chance c[COLLAPSE_NUMBERS];
  invman_rng rng;
  size_t i, m;
  quantity *q = add(&p->r, "collapse", "classes", "classes", (double)p->classes);
  memset(c, 0, sizeof c);
  if (all_equal(p)) {
    remark(q, "all points are equal: nothing can collapse");
    free(y);
    return;
  }
  check(collapse_numbers(p, p->y, value), "neural collapse");
  memcpy(y, p->y, p->n * sizeof *y);
  invman_rng_seed(&rng, p->a.seed, STREAM_LABELS);
  for (i = 0; i < p->a.draws; i++) {
    shuffle(y, p->n, &rng);
    check(collapse_numbers(p, y, drawn), "collapse");
    for (m = 0; m < COLLAPSE_NUMBERS; m++) see(&c[m], drawn[m], -1);
  }
  for (m = 0; m < COLLAPSE_NUMBERS; m++) {
    q = add(&p->r, "collapse", key[m], name[m], value[m]);
    if (value[m] > DBL_MAX) remark(q, "all class means are equal");
    if (m == 1 && p->eps > DBL_EPSILON && p->classes > p->rank + 1) { /* between^+ would divide by rounding */
      q->value = unknown;
      remark(q, "the class means are in fewer than %lu directions, to this precision", (unsigned long)p->classes - 1);
      continue;
    }
    if ((m == 2 || m == 3) && p->classes == 2) remark(q, "of two classes: their sizes alone");
    else beside(q, &c[m]);
    if (m == 4) q->null_best = unknown; /* collapse may end at 0 or at 1, as the classes are centred or not */
  }
  free(y);
}

static size_t points_with_an_equal(const double *D, size_t n) {
  size_t i, j, count = 0;
  for (i = 0; i < n; i++) {
    for (j = 0; j < n && (j == i || D[i * n + j] > 0);) j++;
    count += j < n;
  }
  return count;
}

/* How far the two estimates of the local dimension are from each other, on average over the points that have both. */
static void compare_local(problem *p, const double *lid, size_t k) {
  double *other = numbers(p->n, 1), harmonic, sum = 0;
  size_t i, both = 0;
  quantity *q = add(&p->r, "dimension", "lid_moments", "local, moments, harmonic mean", unknown);
  if (defined(invman_local_dimension(&p->ctx, p->D, p->n, k, INVMAN_LID_MOMENTS, other, &harmonic, NULL), q)) {
    q->value = harmonic;
    remark(q, "of %lu neighbours", (unsigned long)k);
    for (i = 0; i < p->n; i++)
      if (lid[i] > 0 && lid[i] <= DBL_MAX && other[i] > 0 && other[i] <= DBL_MAX) {
        sum += invman_lid_distance(lid[i], other[i]);
        both++;
      }
    q = add(&p->r, "dimension", "lid_distance", "local, moments from likelihood", unknown);
    if (both > 0) {
      q->value = sum / (double)both;
      remark(q, "Fisher-Rao, mean; an estimate's own error: %.2g", 1 / sqrt((double)k));
    } else {
      remark(q, "no point has two finite estimates");
    }
  }
  free(other);
}

static void measure_local(problem *p, size_t others) {
  double *lid = numbers(p->n, 1), harmonic, geometric;
  size_t k = p->a.k ? p->a.k : others > 20 ? 20 : others > 2 ? others - 1 : 2, i, infinite = 0;
  quantity *q = add(&p->r, "dimension", "lid_harmonic", "local, harmonic mean", unknown);
  if (p->a.k && p->a.k >= others)
    fail("--k %lu, but only %lu points have no equal", (unsigned long)p->a.k, (unsigned long)others);
  if (others < 3) {
    remark(q, "fewer than three points without an equal");
  } else if (defined(invman_local_dimension(&p->ctx, p->D, p->n, k, INVMAN_LID_MLE, lid, &harmonic, &geometric), q)) {
    q->value = harmonic;
    remark(q, "of %lu neighbours", (unsigned long)k);
    q = add(&p->r, "dimension", "lid_geometric", "local, geometric mean", geometric);
    for (i = 0; i < p->n; i++) infinite += lid[i] > DBL_MAX;
    if (infinite == 0) remark(q, "of %lu neighbours", (unsigned long)k);
    else
      remark(q, "of %lu neighbours; %lu points whose neighbours are all equally far left out", (unsigned long)k,
             (unsigned long)infinite);
    compare_local(p, lid, k);
  }
  free(lid);
}

static void measure_tree(problem *p) {
  quantity *q = add(&p->r, "dimension", "tree_dimension", "minimum spanning tree", unknown);
  double *shuffled, dimension;
  invman_rng rng;
  if (p->n < 64) {
    remark(q, "needs 64 points");
    return;
  }
  shuffled = numbers(p->n, p->n);
  invman_rng_seed(&rng, p->a.seed, STREAM_ORDER);
  reorder(p->D, p->n, &rng, shuffled);
  if (defined(invman_mst_dimension(&p->ctx, shuffled, p->n, &dimension), q)) q->value = dimension;
  free(shuffled);
}

static void measure_length(problem *p) {
  quantity *q = add(&p->r, "dimension", "tree_length", "minimum spanning tree, length", unknown);
  double length, median;
  if (!defined(invman_mst_length(&p->ctx, p->D, p->n, &length), q)) return;
  q->value = length;
  check(invman_median_distance(&p->ctx, p->D, p->n, &median), "distances");
  if (median > 0) remark(q, "an edge is %.4g of the median distance", length / (double)(p->n - 1) / median);
}

static void measure_dimension(problem *p) {
  static const int method[2] = {INVMAN_TWO_NN_MLE, INVMAN_TWO_NN_FIT};
  size_t equal = points_with_an_equal(p->D, p->n), i;
  double dimension;
  quantity *q;
  for (i = 0; i < 2; i++) {
    q = add(&p->r, "dimension", i ? "two_nn_fit" : "two_nn_mle", i ? "TwoNN, fit" : "TwoNN", unknown);
    if (!defined(invman_two_nn(&p->ctx, p->D, p->n, method[i], &dimension), q)) continue;
    q->value = dimension;
    if (dimension <= DBL_MAX) remark(q, "standard error about %.2g", dimension / sqrt((double)(p->n - equal)));
  }
  measure_local(p, p->n - equal);
  measure_tree(p);
  measure_length(p);
  q = add(&p->r, "dimension", "duplicates", "points that have an equal", (double)equal);
  if (equal > 0) remark(q, "left out of the dimensions but the tree's");
}

/* The information's null costs as much as the number itself, each time: beyond this many points it is left out. */
enum { NULL_OF_INFORMATION = 400 };

static void measure_information(problem *p, double sigma) {
  quantity *q = add(&p->r, "diffusion", "diffusion_information", "information with labels, bits", unknown);
  double bits, *y = numbers(p->n, 1);
  chance c;
  invman_rng rng;
  size_t i;
  memset(&c, 0, sizeof c);
  invman_rng_seed(&rng, p->a.seed, STREAM_SUBSETS);
  if (defined(invman_diffusion_information(&p->ctx, p->D, p->y, p->n, sigma, 1, 0, &rng, &bits), q)) {
    q->value = bits;
    memcpy(y, p->y, p->n * sizeof *y);
    for (i = 0; i < p->a.draws && p->n <= NULL_OF_INFORMATION; i++) {
      shuffle(y, p->n, &rng);
      check(invman_diffusion_information(&p->ctx, p->D, y, p->n, sigma, 1, 0, &rng, &bits), "information");
      see(&c, bits, 1);
    }
    beside(q, &c);
    if (p->a.draws > 0 && p->n > NULL_OF_INFORMATION) remark(q, "some 0 for labels that know nothing; not drawn");
  }
  free(y);
}

static void measure_diffusion(problem *p) {
  quantity *q = add(&p->r, "diffusion", "diffusion_entropy", "spectral entropy, bits", unknown);
  double sigma = p->a.sigma, bits;
  if (!(sigma > 0)) check(invman_median_distance(&p->ctx, p->D, p->n, &sigma), "distances");
  if (!(sigma > 0)) {
    remark(q, "the median distance is 0: give --sigma");
    return;
  }
  if (!defined(invman_diffusion_entropy(&p->ctx, p->D, p->n, sigma, 1, &bits), q)) return;
  q->value = bits;
  bounded(q, "at_most", log((double)(p->n - 1)) / log(2.0), "log2(n-1)");
  remark(q, "sigma = %.6g", sigma);
  if (p->y && p->classes > 1 && p->classes <= p->n / 2) measure_information(p, sigma);
}

static void note_skew(report *r, const char *path, double skew) {
  if (skew > 0)
    note(r, "%.150s: K_ij and K_ji differ by up to %.2g of the largest element, by rounding: their mean is taken", path,
         skew);
}

static void measure_other(problem *p) {
  size_t n = p->n, i;
  double *L = p->L, *shuffled, cka;
  quantity *q;
  chance c;
  invman_rng rng;
  if (!L) return;
  q = add(&p->r, "other", "cka", "centred alignment (CKA)", unknown);
  memset(&c, 0, sizeof c);
  note_skew(&p->r, p->a.other, p->other_skew);
  shuffled = numbers(n, n);
  if (defined(invman_centred_alignment(&p->ctx, p->K, L, n, 0, &cka), q)) {
    q->value = cka;
    bounded(q, "at_most", 1, "the same kernel");
    invman_rng_seed(&rng, p->a.seed, STREAM_OTHER);
    for (i = 0; i < p->a.draws; i++) {
      reorder(L, n, &rng, shuffled);
      check(invman_centred_alignment(&p->ctx, p->K, shuffled, n, 0, &cka), p->a.other);
      see(&c, cka, 1);
    }
    beside(q, &c);
  }
  free(shuffled);
}

/* How far the inputs are from what Stein's lemma asks for: means 0, variances 1. */
static void measure_moments(problem *p) {
  size_t i, j;
  for (j = 0; j < p->d; j++) {
    double mean = 0, square = 0;
    for (i = 0; i < p->n; i++) mean += p->x[i * p->d + j] / (double)p->n;
    for (i = 0; i < p->n; i++) square += (p->x[i * p->d + j] - mean) * (p->x[i * p->d + j] - mean) / (double)p->n;
    p->found.mean_off = larger(p->found.mean_off, fabs(mean));
    p->found.variance_off = larger(p->found.variance_off, fabs(square - 1));
  }
}

enum { MEANS, SQUARES, STEIN_NUMBERS };

/* How much the labels know of the points' first and second moments: |m1|, and the largest |eigenvalue| of M2. m1 (d),
   M2 (d,d), lambda (d): scratch. */
static void stein_numbers(problem *p, const invman_data *data, double *m1, double *M2, double *lambda,
                          double out[STEIN_NUMBERS]) {
  double square = 0;
  size_t j;
  check(invman_stein_moments(&p->ctx, data, m1, M2), "moments");
  for (j = 0; j < p->d; j++) square += m1[j] * m1[j];
  check(invman_eigvalsh(&p->ctx, p->d, M2, lambda), "moments");
  out[MEANS] = sqrt(square);
  out[SQUARES] = larger(fabs(lambda[0]), fabs(lambda[p->d - 1]));
}

static void measure_stein(problem *p, const invman_data *data) {
  static const char *const key[] = {"stein_means", "stein_squares"};
  static const char *const name[] = {"labels and x: |m1|", "labels and x x' - 1: |M2|"};
  double *m1 = numbers(p->d, 1), *M2 = numbers(p->d, p->d), *lambda = numbers(p->d, 1), *y = numbers(p->n, 1);
  double value[STEIN_NUMBERS], drawn[STEIN_NUMBERS], root = sqrt((double)p->d / (double)p->n);
  invman_data permuted = *data;
  chance c[STEIN_NUMBERS];
  invman_rng rng;
  size_t i, m;
  memset(c, 0, sizeof c);
  stein_numbers(p, data, m1, M2, lambda, value);
  memcpy(y, data->y, p->n * sizeof *y);
  permuted.y = y;
  invman_rng_seed(&rng, p->a.seed, STREAM_STEIN);
  for (i = 0; i < p->a.draws; i++) {
    shuffle(y, p->n, &rng);
    stein_numbers(p, &permuted, m1, M2, lambda, drawn);
    for (m = 0; m < STEIN_NUMBERS; m++) see(&c[m], drawn[m], 1);
  }
  for (m = 0; m < STEIN_NUMBERS; m++) {
    quantity *q = add(&p->r, "directions", key[m], name[m], value[m]);
    beside(q, &c[m]);
    remark(q, "some %.2g by chance, of x ~ N(0,1)", m == MEANS ? root : 2 * root);
  }
  free(m1);
  free(M2);
  free(lambda);
  free(y);
}

/* A large share tells that the directions which the labels know are those in which the points vary most. */
static void measure_share(problem *p) {
  size_t k = p->found.found, i;
  double *norm = numbers(p->n, 1), *residual = numbers(p->n, 1), within = 0, outside = 0;
  quantity *q = add(&p->r, "directions", "directions_share", "squared length within them", unknown);
  if (k == 0) {
    remark(q, "no direction was found");
  } else if (defined(invman_subspace_norms(&p->ctx, p->found.V, k, p->d, p->x, p->n, norm, residual), q)) {
    for (i = 0; i < p->n; i++) {
      within += norm[i] * norm[i];
      outside += residual[i];
    }
    q->value = within / (within + outside);
    bounded(q, "at_most", 1, "all");
    remark(q, "%.4g for random ones", (double)k / (double)p->d);
  }
  free(norm);
  free(residual);
}

static void measure_truth(problem *p) {
  size_t k = p->found.found, m = p->a.truth, i;
  double *theta = numbers(p->d, 1), *axes = numbers(m, p->d);
  invman_angles angles;
  for (i = 0; i < m * p->d; i++) axes[i] = i / p->d == i % p->d;
  check(invman_principal_angles(&p->ctx, p->found.V, k, axes, m, p->d, theta, &angles), "--truth");
  p->found.angle = angles.largest;
  free(theta);
  free(axes);
}

/* Whether a few points, a hundredth but four at least, have most of the squares of x (n), which are sorted. */
static int rests_on_few(double *x, size_t n) {
  size_t few = n / 100 > 4 ? n / 100 : 4, i;
  double most = 0, all = 0;
  if (few > n / 10) few = n / 10;
  for (i = 0; i < n; i++) x[i] *= x[i];
  qsort(x, n, sizeof *x, larger_first);
  for (i = 0; i < n; i++) all += x[i];
  for (i = 0; i < few; i++) most += x[i];
  return 2 * most > all;
}

/* Those of the directions found that rest on a few points are named, and no finding: so few labels may agree by
   chance. */
static void drop_rare(problem *p) {
  directions *f = &p->found;
  double *along = numbers(p->n, 1);
  size_t k, i, j, kept = 0;
  for (k = 0; k < f->found; k++) {
    const double *v = f->V + k * p->d;
    size_t most = 0;
    for (i = 0; i < p->n; i++)
      for (along[i] = 0, j = 0; j < p->d; j++) along[i] += v[j] * p->x[i * p->d + j];
    for (j = 0; j < p->d; j++) most = fabs(v[j]) > fabs(v[most]) ? j : most;
    if (rests_on_few(along, p->n)) {
      char number[32];
      snprintf(number, sizeof number, "x%lu", (unsigned long)most + 1);
      note(&p->r, "a direction of strength %.4g, mostly %s, rests on a few points: rare, not among the found",
           f->strength[k], p->own.name ? p->own.name[most] : number);
      continue;
    }
    f->strength[kept] = f->strength[k];
    memmove(f->V + kept++ * p->d, v, p->d * sizeof *v);
  }
  f->found = kept;
  free(along);
}

static void measure_directions(problem *p) {
  directions *f = &p->found;
  invman_data data;
  invman_rng rng;
  quantity *q;
  if (p->d == 0 || !p->sign || p->classes > p->n / 2) return;
  if (p->n / 5 < p->d || p->d > 500) {
    note(&p->r, "directions of the labels are left out: %s",
         p->d > 500 ? "more than 500 inputs" : "fewer than five points per input");
    return;
  }
  data.n = p->n;
  data.d = f->d = p->d;
  data.x = p->x;
  data.y = p->sign;
  f->strength = numbers(p->d, 1);
  f->V = numbers(p->d, p->d);
  f->angle = unknown;
  invman_rng_seed(&rng, p->a.seed, STREAM_STEIN);
  check(invman_stein_directions(&p->ctx, &data, p->a.draws, p->a.draws ? &rng : NULL, f->strength, f->V, &f->noise,
                                &f->found),
        "directions");
  drop_rare(p);
  measure_moments(p);
  if (p->a.truth && f->found > 0) measure_truth(p);
  f->measured = 1;
  q = add(&p->r, "directions", "directions_found", "directions above the noise", (double)f->found);
  remark(q, "noise %.4g %s; sqrt(d/n) = %.4g", f->noise, p->a.draws ? "of permuted labels" : "= sqrt(5 d/n)",
         sqrt((double)p->d / (double)p->n));
  measure_share(p);
  measure_stein(p, &data);
  q = add(&p->r, "directions", "means_off", "inputs: largest |mean|", f->mean_off);
  remark(q, "Stein's lemma asks for x ~ N(0,1): %.2g by chance", 1 / sqrt((double)p->n));
  q = add(&p->r, "directions", "variances_off", "inputs: largest |variance - 1|", f->variance_off);
  remark(q, "%.2g by chance", sqrt(2 / (double)p->n));
  if (p->a.truth) {
    q = add(&p->r, "directions", "truth_angle", "largest angle to the true inputs", f->angle);
    remark(q, "%s", f->found ? "in radians, of the directions found" : "no direction was found");
  }
}

/* ---- input */

/* Classes are runs of equal numbers in order. */
static void count_classes(problem *p) {
  double *sorted = numbers(p->n, 1);
  size_t i, run = 0;
  memcpy(sorted, p->y, p->n * sizeof *sorted);
  qsort(sorted, p->n, sizeof *sorted, smaller_first);
  p->least = p->n;
  for (i = 0; i < p->n; i++) {
    run++;
    if (i + 1 < p->n && sorted[i + 1] == sorted[i]) continue;
    if (run < p->least) p->least = run;
    p->classes++;
    run = 0;
  }
  if (p->classes == 2) {
    p->sign = numbers(p->n, 1);
    for (i = 0; i < p->n; i++) p->sign[i] = p->y[i] > sorted[0] ? 1 : -1;
  }
  free(sorted);
}

static void read_labels(problem *p) {
  table t = read_numbers_of(p->a.labels);
  if (t.rows > 1 && t.columns > 1)
    fail("%s: a label is one number per point, here are %lu columns", p->a.labels, (unsigned long)t.columns);
  if (t.rows * t.columns != p->n)
    fail("%s: %lu labels, but %lu points", p->a.labels, (unsigned long)(t.rows * t.columns), (unsigned long)p->n);
  p->y = t.value;
  count_classes(p);
}

/* The points of --csv: their labels are read along. */
static table read_own(problem *p) {
  table t;
  read_points(&p->ctx, &p->own);
  p->advice = advice(&p->own);
  standardise_points(&p->own, &p->own.all);
  t.rows = p->own.all.n;
  t.columns = p->own.all.d;
  t.value = p->own.all.x;
  t.eps = DBL_EPSILON;
  t.eps = precision(&t);
  p->y = p->own.all.y;
  p->own.all.x = p->own.all.y = NULL;
  return t;
}

/* K = X X', and the distances from the points themselves: nothing cancels there. */
static void read_features(problem *p) {
  table t = source.csv ? read_own(p) : read_numbers_of(p->a.features);
  size_t i, j, k;
  p->n = t.rows;
  p->d = t.columns;
  p->x = t.value;
  p->eps = t.eps;
  if (p->a.truth > p->d) fail("--truth %lu, but only %lu inputs", (unsigned long)p->a.truth, (unsigned long)p->d);
  p->K = numbers(p->n, p->n);
  for (i = 0; i < p->n; i++)
    for (j = 0; j <= i; j++) {
      double sum = 0;
      for (k = 0; k < p->d; k++) sum += p->x[i * p->d + k] * p->x[j * p->d + k];
      if (!(fabs(sum) <= DBL_MAX))
        fail("%s: row %lu: too large to square", source.csv ? source.csv : p->a.features, (unsigned long)i + 1);
      p->K[i * p->n + j] = p->K[j * p->n + i] = sum;
    }
}

static void read_other(problem *p) {
  size_t n;
  double eps;
  p->L = read_gram(p->a.other, &n, &eps, &p->other_skew);
  if (n != p->n) fail("%s: %lu points, but there are %lu", p->a.other, (unsigned long)n, (unsigned long)p->n);
}

/* The rounding of a matrix's elements moves its eigenvalues, or singular values, by some sqrt(n) eps of the largest.
   What K = X X' has of X are the squares. */
static void set_tolerance(problem *p) {
  double m = (double)(p->n > p->d ? p->n : p->d), moved = smaller(m, 4 * sqrt(m)) * p->eps;
  p->tol = (double)p->n * DBL_EPSILON;
  if (p->eps > DBL_EPSILON) p->tol = larger(p->tol, smaller(0.5, p->d > 0 ? moved * moved : moved));
}

/* D_ij of points that are one to the precision of K's elements: 0, as the library has it for doubles. Halves are rounded
   once, their sums made in wider numbers. */
static void join_equal(problem *p) {
  double left = (p->eps > (double)FLT_EPSILON ? 2 : 16) * p->eps;
  size_t i, j;
  for (i = 0; i < p->n; i++)
    for (j = 0; j < p->n; j++) {
      double *D = &p->D[i * p->n + j], norms = p->K[i * (p->n + 1)] + p->K[j * (p->n + 1)];
      if (*D * *D <= left * norms) *D = 0;
    }
}

static void note_precision(problem *p) {
  const char *name = p->eps > (double)FLT_EPSILON ? "half" : "single";
  if (p->eps <= DBL_EPSILON) return;
  if (p->d > 0) note(&p->r, "X is of %s precision: its rank is decided at that", name);
  else note(&p->r, "K is of %s precision: rank, RKHS norm, and which points are equal, are decided at that", name);
}

static const char *path_of(const problem *p) { return p->a.gram ? p->a.gram : source.csv ? source.csv : p->a.features; }

static void prepare(problem *p) {
  const char *path = path_of(p);
  double skew = 0;
  if (p->a.gram) p->K = read_gram(p->a.gram, &p->n, &p->eps, &skew);
  else read_features(p);
  set_tolerance(p);
  note_skew(&p->r, path, skew);
  note_precision(p);
  if (p->n < 2) fail("%s: one point tells nothing", path);
  if (p->a.labels) read_labels(p);
  else if (p->y) count_classes(p);
  if (p->a.other) read_other(p);
  p->U = numbers(p->n, p->n);
  p->D = numbers(p->n, p->n);
  p->lambda = numbers(p->n, 1);
  memcpy(p->U, p->K, p->n * p->n * sizeof(double));
  check(invman_eigh(&p->ctx, p->n, p->U, p->lambda), path);
  if (p->d > 0) check(invman_point_distances(&p->ctx, p->x, p->n, p->d, p->D), path);
  else check(invman_kernel_distances(&p->ctx, p->K, p->n, p->D), path);
  if (p->d == 0 && p->eps > DBL_EPSILON) join_equal(p);
}

static void measure_classes(problem *p) {
  report *r = &p->r;
  if (!p->y) note(r, "no labels: what needs them is left out");
  else if (p->classes == 1) note(r, "all labels are equal: what needs classes is left out");
  else if (p->classes > p->n / 2)
    note(r, "%lu different labels of %lu points are no classes: what needs classes is left out",
         (unsigned long)p->classes, (unsigned long)p->n);
  else {
    if (p->sign && p->lambda[0] > 0) measure_labels(p);
    else if (!p->sign) note(r, "%lu classes: alignment and what else needs two is left out", (unsigned long)p->classes);
    measure_collapse(p);
  }
}

static void measure(problem *p) {
  static const struct {
    const char *name;
    void (*measure)(problem *p);
  } parts[] = {{"spectrum", measure_spectrum},    {"leverages", measure_leverage},  {"labels", measure_classes},
               {"dimension", measure_dimension},  {"diffusion", measure_diffusion}, {"other", measure_other},
               {"directions", measure_directions}};
  size_t count = sizeof parts / sizeof *parts, k;
  for (k = 0; k < count && !interrupted; k++) {
    begin_stage((double)k / (double)count, 1 / (double)count, "%s", parts[k].name);
    progress("", 0, NULL);
    parts[k].measure(p);
  }
  if (k < count) note(&p->r, "interrupted: from %s on nothing is known", parts[k].name);
}

/* ---- what comes out */

static void write_number(char shown[32], double value) {
  if (!known(value)) strcpy(shown, "-");
  else if (fabs(value) > DBL_MAX) strcpy(shown, value > 0 ? "infinite" : "-infinite");
  else snprintf(shown, 32, "%.6g", value);
}

static const char *section_name(const char *section) {
  static const char *const names[][2] = {{"spectrum", "spectrum of K"},
                                         {"labels", "labels -1, +1 and K"},
                                         {"collapse", "neural collapse"},
                                         {"dimension", "intrinsic dimension"},
                                         {"diffusion", "diffusion"},
                                         {"other", "the other kernel"},
                                         {"directions", "directions that the labels know"}};
  size_t i;
  for (i = 0; i < sizeof names / sizeof *names; i++)
    if (!strcmp(section, names[i][0])) return names[i][1];
  return section;
}

static void show_quantity(const quantity *q) {
  char value[32], mean[32], best[32];
  write_number(value, q->value);
  write_number(mean, q->null_mean);
  write_number(best, q->null_best);
  show("  %-32s %12s", q->name, value);
  if (known(q->null_mean) || q->bound_is || q->remark[0])
    show(" %12s %12s", known(q->null_mean) ? mean : "", known(q->null_best) ? best : "");
  if (q->bound_is)
    show("  %s %.6g (%s)", !strcmp(q->bound_is, "at_most") ? "at most" : "at least", q->bound, q->bound_name);
  if (q->remark[0]) show("%s%s", q->bound_is ? "; " : "  ", q->remark);
  show("\n");
}

static void show_directions(const directions *f, char *const *name) {
  size_t i;
  for (i = 0; i < f->found && i < SHOWN; i++) {
    show("  direction %-22lu %12.6g", (unsigned long)i + 1, f->strength[i]);
    show_direction(f->V + i * f->d, f->d, name);
  }
  if (f->found > SHOWN) show("  and %lu more\n", (unsigned long)(f->found - SHOWN));
}

static void show_table(const problem *p) {
  const char *section = "";
  size_t i;
  show("%s: %lu points", path_of(p), (unsigned long)p->n);
  if (p->d) show(" of %lu input%s", (unsigned long)p->d, p->d == 1 ? "" : "s");
  if (p->y)
    show("; %s: %lu class%s", p->a.labels ? p->a.labels : "labels", (unsigned long)p->classes,
         p->classes == 1 ? "" : "es");
  if (p->y && p->classes > 1) show(", the smallest of %lu", (unsigned long)p->least);
  show("; %lu draws, seed %lu\n", (unsigned long)p->a.draws, (unsigned long)p->a.seed);
  show("\n  %-32s %12s %12s %12s\n", "", "value", "null mean", "null best");
  for (i = 0; i < p->r.count; i++) {
    if (strcmp(section, p->r.list[i].section)) show("%s\n", section_name(section = p->r.list[i].section));
    show_quantity(&p->r.list[i]);
  }
  if (p->found.measured) show_directions(&p->found, p->own.name);
  for (i = 0; i < p->r.notes; i++) show("%s%s\n", i ? "" : "\n", p->r.note[i]);
}

static void put_quantity(text *t, const quantity *q) {
  put(t, ",\n  \"%s\": {\"section\": \"%s\"", q->key, q->section);
  put_field(t, "value", q->value, 17);
  if (known(q->null_mean)) put_field(t, "null_mean", q->null_mean, 17);
  if (known(q->null_best)) put_field(t, "null_best", q->null_best, 17);
  if (q->bound_is) put_field(t, q->bound_is, q->bound, 17);
  if (q->remark[0] || fabs(q->value) > DBL_MAX) {
    put(t, ", \"remark\": ");
    put_string(t, q->remark[0] ? q->remark : "infinite");
  }
  put(t, "}");
}

static void put_directions(text *t, const directions *f) {
  size_t i, j;
  put(t, ",\n  \"directions\": [");
  for (i = 0; i < f->found; i++) {
    put(t, "%s{\"strength\": %.17g, \"components\": [", i ? ", " : "", f->strength[i]);
    for (j = 0; j < f->d; j++) put(t, "%s%.17g", j ? ", " : "", f->V[i * f->d + j]);
    put(t, "]}");
  }
  put(t, "]");
}

static void print_json(const problem *p) {
  text t = {NULL, 0, 0};
  size_t i;
  put(&t, "{\"file\": ");
  put_string(&t, path_of(p));
  put_field(&t, "points", (double)p->n, 17);
  if (p->d) put_field(&t, "inputs", (double)p->d, 17);
  put_field(&t, "draws", (double)p->a.draws, 17);
  put(&t, ", \"seed\": %lu", (unsigned long)p->a.seed);
  for (i = 0; i < p->r.count; i++) put_quantity(&t, &p->r.list[i]);
  if (p->found.measured) put_directions(&t, &p->found);
  put(&t, ",\n  \"notes\": [");
  for (i = 0; i < p->r.notes; i++) {
    if (i) put(&t, ", ");
    put_string(&t, p->r.note[i]);
  }
  put(&t, "]}\n");
  fwrite(t.at, 1, t.length, stdout); /* as it is, on a terminal too */
  drop(&t);
}

int main(int argc, char **argv) {
  static problem p;
  start(argc, argv, &description);
  complete(&asked);
  p.a = asked;
  p.ctx.error = &error;
  prepare(&p);
  advise(p.advice);
  begin_work();
  measure(&p);
  if (p.a.json) print_json(&p);
  else show_table(&p);
  free(p.x);
  free(p.K);
  free(p.L);
  free(p.U);
  free(p.lambda);
  free(p.D);
  free(p.y);
  free(p.sign);
  if (source.csv) free_points(&p.ctx, &p.own);
  free(p.found.strength);
  free(p.found.V);
  return finish(0);
}
