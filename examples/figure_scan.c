/* Two scans. lambda: compression against the number of training points, Lambda at t* and the largest Lambda, their
   exponents beside the prediction 1/2, and Lambda in time (Fig. 5 of the paper, and the top of Fig. 7). alpha: from
   features to the frozen kernel, test error, t* and Lambda against the scale alpha of the predictor (Fig. 11,
   Appendix B), and what theory says of both ends. Runs go to a file as they end; a rerun goes on.

   cc -O3 -fopenmp -I.. figure_scan.c -o figure_scan -lm
   ./figure_scan --help */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, ftruncate, isatty, mkdir */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _WIN32
#include <direct.h>
#include <io.h>
#define isatty            _isatty
#define fileno            _fileno
#define ftruncate         _chsize
#define mkdir(path, mode) _mkdir(path)
#else
#include <sys/stat.h>
#include <unistd.h>
#endif

static const char help[] =
    "figure_scan - what a network learns, against the number of training points and the scale of its predictor\n"
    "\n"
    "  figure_scan lambda [options]   compression against the number of points, its exponent, its course in time\n"
    "  figure_scan alpha [options]    test error, t* and compression against the scale alpha of the predictor\n"
    "\n"
    "  --seeds A:B        of points and weights, A to B (lambda 1:10, alpha 1:5)\n"
    "  --h N              neurons (1000)\n"
    "  --tol X            error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --out DIRECTORY    for the files below, made if need be; without it they are not written\n"
    "  --help, --version\n"
    "lambda:\n"
    "  --model M          stripe or cylinder (stripe)\n"
    "  --d N,N,...        inputs (stripe 5, cylinder 3)\n"
    "  --p N,N,...        numbers of training points, increasing (128,256,512,1024)\n"
    "  --curve-p N,N,...  those whose Lambda(t) is recorded, of --p or others (none)\n"
    "  --curve-seeds A:B  the seeds it is the mean of (those of --seeds)\n"
    "  --grid G           its times: log, or linear to twice t* (log)\n"
    "  --alpha A          scale of the predictor (1e-6)\n"
    "  --until-tstar      stop each run at t*: faster, and without Lambda_max\n"
    "alpha:\n"
    "  --alpha A,A,...    scales, increasing\n"
    "  --alpha-range LOW:HIGH:N   or N of them from LOW to HIGH, in equal ratios (1e-16:1e8:25)\n"
    "  --d N              inputs of the single stripe (10)\n"
    "  --p N              training points (1000)\n"
    "  --test-size N      test points (10000)\n"
    "\n"
    "  figure_scan lambda --d 5,10 --p 128,256,512,1024 --curve-p 128,1024 --seeds 1:10 --out lambda\n"
    "  figure_scan alpha --seeds 1:5 --h 10000 --out alpha\n"
    "\n"
    "In DIRECTORY, where tables of the same name are replaced (one for each model, say):\n"
    "  lambda_vs_p.csv       medians and quartiles over the seeds of Lambda*, Lambda_max, t*/tau; tau = h sqrt(d/2)\n"
    "  lambda_exponents.csv  exponents of the medians, with 95 % bootstrap intervals, against the prediction 1/2\n"
    "  lambda_vs_t.csv       the mean Lambda(t); a run that is at rest keeps its Lambda\n"
    "  alpha_scan.csv        means over the seeds and their standard errors; the frozen kernel's test error, of the\n"
    "                        same points and networks, in every row\n"
    "  alpha_verdict.csv     what is expected at both ends, measured\n"
    "  runs.jsonl            a line of JSON per run, times in the units of t (not of tau); what is there already is\n"
    "                        not computed again. Lines of other settings stay as they are; the torn last line of a\n"
    "                        program that was killed is removed.\n"
    "Training sets are nested: a seed's first points are the same for every p. The frozen kernel takes 8 p^2 bytes.\n"
    "Ctrl-C ends the runs early: what is known is written, and shown; a second one ends the program.\n"
    "\n"
    "Exit status: 0 done, or Ctrl-C ended it; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_scan: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
  exit(2);
}

static invman_error error;

/* Ends the program where a call of the library failed; `about`: the file or the matter at hand. */
static void check(invman_status status, const char *about) {
  if (status >= 0) return;
  if (error.unit && error.unit[0]) fail("%s: %s (%s %lu)", about, error.what, error.unit, (unsigned long)error.place);
  fail("%s: %s", about, error.what ? error.what : invman_status_string(status));
}

/* Memory for rows x columns things of so many bytes, all 0. */
static void *zeros(size_t rows, size_t columns, size_t bytes) {
  size_t all = rows * columns;
  void *memory = columns > 0 && rows > SIZE_MAX / columns ? NULL : calloc(all > 0 ? all : 1, bytes);
  if (!memory) fail("out of memory");
  return memory;
}

static double *numbers(size_t rows, size_t columns) { return (double *)zeros(rows, columns, sizeof(double)); }

/* ---- the command line */

enum { LIST_MAX = 200, SEEDS_MAX = 100000 };
enum { ANY, WHOLE }; /* numbers of a list */

typedef struct list {
  double value[LIST_MAX];
  size_t count;
} list;

typedef struct range {
  double first;
  size_t count;
} range;

typedef struct arguments {
  int over_alpha; /* the scan: over alpha, else over p */
  const char *scan, *model, *grid, *out;
  const char *listed, *ranged; /* --alpha and --alpha-range; NULL: not given */
  list d, p, curve_p, alpha;   /* over alpha one d and one p, else one alpha */
  range seeds, curve_seeds;
  double h, tol, test_size;
  size_t d_par;
  int label, until_tstar; /* label: INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static double whole_number(const char *flag, const char *text, size_t least) {
  char *end;
  unsigned long long value;
  errno = 0;
  value = strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value > SIZE_MAX)
    fail("%s: '%s' is not a whole number", flag, text);
  if (value < least) fail("%s must be at least %lu", flag, (unsigned long)least);
  if ((double)value > 9e15) fail("%s must be at most 9e15", flag); /* what a double tells from its neighbours */
  return (double)value;
}

static double positive_number(const char *flag, const char *text) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end) fail("%s: '%s' is not a number", flag, text);
  if (!(value > 0 && value <= DBL_MAX)) fail("%s must be positive and finite", flag);
  return value;
}

/* The next of several values: what stands before `separator`, or the rest. Returns where the one after it begins, NULL
   after the last one. */
static const char *next_value(const char *flag, const char *text, char separator, char value[32]) {
  const char *end = strchr(text, separator);
  size_t length = end ? (size_t)(end - text) : strlen(text);
  if (length >= 32) fail("%s: '%s' is too long", flag, text);
  memcpy(value, text, length);
  value[length] = 0;
  return end ? end + 1 : NULL;
}

static list parse_list(const char *flag, const char *text, size_t most, int kind) {
  char value[32];
  list l;
  for (l.count = 0; text; l.count++) {
    if (l.count == most) fail("%s: more than %lu value%s", flag, (unsigned long)most, most > 1 ? "s" : "");
    text = next_value(flag, text, ',', value);
    l.value[l.count] = kind == WHOLE ? whole_number(flag, value, 1) : positive_number(flag, value);
    if (l.count > 0 && l.value[l.count] <= l.value[l.count - 1]) fail("%s: the values must increase", flag);
  }
  return l;
}

/* LOW:HIGH:N, in equal ratios; to ten digits, so that the powers of ten are what one would write. */
static list parse_ratios(const char *flag, const char *text) {
  char low[32], high[32], count[32], rest;
  double first, last, n, i;
  list l = {{0}, 0};
  if (sscanf(text, "%31[^:]:%31[^:]:%31[^:]%c", low, high, count, &rest) != 3)
    fail("%s: '%s' is not LOW:HIGH:N", flag, text);
  first = positive_number(flag, low);
  last = positive_number(flag, high);
  n = whole_number(flag, count, 2);
  if (!(first < last)) fail("%s: the values must increase", flag);
  if (n > LIST_MAX) fail("%s: more than %d values", flag, (int)LIST_MAX);
  for (i = 0; i < n; i++) {
    snprintf(low, sizeof low, "%.10g", exp((1 - i / (n - 1)) * log(first) + i / (n - 1) * log(last)));
    l.value[l.count++] = strtod(low, NULL);
    if (i > 0 && !(l.value[l.count - 1] > l.value[l.count - 2])) fail("%s: too many values", flag);
  }
  return l;
}

static range parse_seeds(const char *flag, const char *text) {
  char value[32];
  range r;
  double last;
  text = next_value(flag, text, ':', value);
  last = r.first = whole_number(flag, value, 0);
  if (text) last = whole_number(flag, text, 0);
  if (last < r.first) fail("%s: the last is smaller than the first", flag);
  if (last - r.first >= SEEDS_MAX) fail("%s: more than %d", flag, (int)SEEDS_MAX);
  r.count = (size_t)(last - r.first) + 1;
  return r;
}

static int is_in(const list *l, double value) {
  size_t i;
  for (i = 0; i < l->count && l->value[i] != value; i++) continue;
  return i < l->count;
}

static int is_within(const range *r, double value) { return value >= r->first && value - r->first < (double)r->count; }

static void set_defaults(arguments *a, const char *scan) {
  int alpha = !strcmp(scan, "alpha");
  memset(a, 0, sizeof *a);
  a->over_alpha = alpha;
  a->scan = scan;
  a->model = "stripe";
  a->grid = "log";
  a->h = 1000;
  a->tol = 0.1;
  a->test_size = alpha ? 10000 : (double)NAN;
  a->p = parse_list("--p", alpha ? "1000" : "128,256,512,1024", LIST_MAX, WHOLE);
  a->seeds = parse_seeds("--seeds", alpha ? "1:5" : "1:10");
}

static void parse_option(const char *flag, const char *value, arguments *a) {
  int alpha = a->over_alpha, lambda = !alpha;
  if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--seeds")) a->seeds = parse_seeds(flag, value);
  else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--tol")) a->tol = positive_number(flag, value);
  else if (!strcmp(flag, "--d")) a->d = parse_list(flag, value, alpha ? 1 : LIST_MAX, WHOLE);
  else if (!strcmp(flag, "--p")) a->p = parse_list(flag, value, alpha ? 1 : LIST_MAX, WHOLE);
  else if (!strcmp(flag, "--alpha")) a->listed = value;
  else if (alpha && !strcmp(flag, "--alpha-range")) a->ranged = value;
  else if (alpha && !strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
  else if (lambda && !strcmp(flag, "--model")) a->model = value;
  else if (lambda && !strcmp(flag, "--curve-p")) a->curve_p = parse_list(flag, value, LIST_MAX, WHOLE);
  else if (lambda && !strcmp(flag, "--curve-seeds")) a->curve_seeds = parse_seeds(flag, value);
  else if (lambda && !strcmp(flag, "--grid")) a->grid = value;
  else fail("%s: unknown option; see --help", flag);
}

static void settle_alpha(arguments *a) {
  if (a->listed && a->ranged) fail("give one of --alpha and --alpha-range");
  if (!a->over_alpha) a->alpha = parse_list("--alpha", a->listed ? a->listed : "1e-6", 1, ANY);
  else if (a->listed) a->alpha = parse_list("--alpha", a->listed, LIST_MAX, ANY);
  else a->alpha = parse_ratios("--alpha-range", a->ranged ? a->ranged : "1e-16:1e8:25");
}

static void settle_model(arguments *a) {
  int cylinder = !strcmp(a->model, "cylinder");
  if (!cylinder && strcmp(a->model, "stripe")) fail("--model: '%s' is neither stripe nor cylinder", a->model);
  a->label = cylinder ? INVMAN_CYLINDER : INVMAN_STRIPE;
  a->d_par = cylinder ? 2 : 1;
  if (a->d.count == 0) a->d = parse_list("--d", a->over_alpha ? "10" : cylinder ? "3" : "5", 1, WHOLE);
  if (a->d.value[0] <= (double)a->d_par) fail("--d must be at least %lu", (unsigned long)(a->d_par + 1));
}

static void answer(const char *flag) {
  if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) fputs(help, stdout);
  else if (!strcmp(flag, "--version"))
    printf("figure_scan, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
  else return;
  exit(0);
}

static void parse(int argc, char **argv, arguments *a) {
  int i;
  for (i = 1; i < argc; i++) answer(argv[i]);
  if (argc < 2 || (strcmp(argv[1], "lambda") && strcmp(argv[1], "alpha")))
    fail("usage: figure_scan lambda|alpha [options]; see --help");
  set_defaults(a, argv[1]);
  for (i = 2; i < argc; i++) {
    const char *flag = argv[i];
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!a->over_alpha && !strcmp(flag, "--until-tstar")) a->until_tstar = 1;
    else if (i + 1 == argc) fail("%s: unknown, or its value is missing; see --help", flag);
    else parse_option(flag, argv[++i], a);
  }

  settle_alpha(a);
  settle_model(a);
  if (a->out && !*a->out) fail("--out: the name is empty");
  if (a->tol > 1) fail("--tol must be at most 1");
  if (strcmp(a->grid, "log") && strcmp(a->grid, "linear")) fail("--grid: '%s' is neither log nor linear", a->grid);
  if (a->curve_seeds.count == 0) a->curve_seeds = a->seeds;
  if (a->curve_p.count == 0) a->curve_seeds.count = 0;
}

/* ---- the runs */

/* The numbers of a run: what it depends on, then what came of it. */
enum { D, P, H, TEST_SIZE, ALPHA, TOL, SEED, SETTINGS };
enum { TEST_ERROR = SETTINGS, T_STAR, LAMBDA_START, LAMBDA_STAR, LAMBDA_MAX, T_END, NUMBERS };
static const char *const number_names[NUMBERS] = {
    "d",           "p",          "h",    "test_size", "alpha", "tol", "seed", "test_error", "t_star", "lambda_start",
    "lambda_star", "lambda_max", "t_end"};

/* Lambda in time, as finely as `step` says: a point wherever t or Lambda has changed by that share. */
enum { CURVE_MAX = 2000 };
typedef struct curve {
  size_t n;
  double step, t[CURVE_MAX], lambda[CURVE_MAX];
} curve;

typedef struct run {
  double number[NUMBERS];    /* NaN: it has none */
  int table, curved;         /* what it is for: the medians or means over the seeds, the mean Lambda(t) */
  int known, ended, stopped; /* ended: at zero loss; stopped: at t*, as was asked */
  char status[96];
  curve *curve; /* NULL: none */
} run;

typedef struct study {
  const invman_context *ctx;
  const arguments *a;
  char *path;         /* of the runs' file */
  FILE *file, *table; /* that, and the table that is being written; NULL: none */
  long torn;          /* where its last line begins, if that is torn; else -1 */
  int open_ended;     /* its last line is whole, but for the line's end */
  run *runs; /* (rows, columns): rows of a seed, those of --seeds first; columns of a d and p, or of an alpha */
  size_t rows, columns, total, found; /* total: the wanted ones */
  double *values;                     /* (QUANTITIES, columns, seeds): what came of them */
  int terminal;
  double shown, began, work, worked; /* work: of the runs not known at the start, in units of d p */
  run *current;
} study;

static run *run_at(const study *s, size_t row, size_t column) { return &s->runs[row * s->columns + column]; }

/* No setting, no result. */
static void forget(run *r) {
  int k;
  memset(r, 0, sizeof *r);
  for (k = 0; k < NUMBERS; k++) r->number[k] = (double)NAN;
}

static int is_wanted(const run *r) { return r->table || r->curved; }

/* Over alpha the last column is the frozen kernel of the start: it has no alpha. */
static int is_kernel(const run *r) { return isnan(r->number[ALPHA]); }

static double tau_of(const run *r) { return r->number[H] * sqrt(0.5 * r->number[D]); }

static void describe(const study *s, const run *r, char text[96]) {
  const double *x = r->number;
  if (!s->a->over_alpha) snprintf(text, 96, "d = %.0f, p = %.0f, seed %.0f", x[D], x[P], x[SEED]);
  else if (is_kernel(r)) snprintf(text, 96, "seed %.0f, frozen kernel", x[SEED]);
  else snprintf(text, 96, "seed %.0f, alpha = %g", x[SEED], x[ALPHA]);
}

/* Columns go over d, p and alpha, the last one fastest: --p, then --curve-p; --alpha, then the frozen kernel. Rows go
   over --seeds, then --curve-seeds. What comes up again is not wanted again. */
static void plan_run(const arguments *a, size_t row, size_t column, run *r) {
  size_t alphas = a->alpha.count + (a->over_alpha ? 1 : 0), points = a->p.count + a->curve_p.count;
  size_t ia = column % alphas, ip = column / alphas % points, id = column / alphas / points;
  int table_p = ip < a->p.count, table_seed = row < a->seeds.count;
  double p = table_p ? a->p.value[ip] : a->curve_p.value[ip - a->p.count];
  double seed = table_seed ? a->seeds.first + (double)row : a->curve_seeds.first + (double)(row - a->seeds.count);
  int again = (!table_p && is_in(&a->p, p)) || (!table_seed && is_within(&a->seeds, seed));
  forget(r);
  r->number[D] = a->d.value[id];
  r->number[P] = p;
  r->number[H] = a->h;
  r->number[TEST_SIZE] = a->test_size;
  r->number[SEED] = seed;
  if (ia < a->alpha.count) {
    r->number[ALPHA] = a->alpha.value[ia];
    r->number[TOL] = a->tol;
  }
  r->table = table_p && table_seed;
  r->curved = !again && is_in(&a->curve_p, p) && is_within(&a->curve_seeds, seed);
}

static void plan(study *s) {
  const arguments *a = s->a;
  size_t i;
  s->rows = a->seeds.count + a->curve_seeds.count;
  s->columns = a->d.count * (a->p.count + a->curve_p.count) * (a->alpha.count + (a->over_alpha ? 1 : 0));
  s->runs = (run *)zeros(s->rows, s->columns, sizeof(run));
  for (i = 0; i < s->rows * s->columns; i++) {
    plan_run(a, i / s->columns, i % s->columns, &s->runs[i]);
    s->total += is_wanted(&s->runs[i]) ? 1 : 0;
  }
}

static const char at_t_star[] = "stopped at t*";

/* From now on it is known. The status may end at a quotation mark. */
static void settle(run *r, const char *status) {
  snprintf(r->status, sizeof r->status, "%.*s", (int)strcspn(status, "\""), status);
  r->known = 1;
  r->stopped = !strcmp(r->status, at_t_star);
  r->ended = !strcmp(r->status, invman_status_string(INVMAN_OK));
}

/* ---- Lambda in time */

static curve *new_curve(void) {
  curve *c = (curve *)zeros(1, 1, sizeof *c);
  c->step = 0.01;
  return c;
}

static void curve_halve(curve *c) {
  size_t i;
  for (i = 0; 2 * i < c->n; i++) {
    c->t[i] = c->t[2 * i];
    c->lambda[i] = c->lambda[2 * i];
  }
  c->n = i;
  c->step *= 2;
}

static void curve_add(curve *c, double t, double lambda, int always) {
  if (!(lambda > 0 && lambda <= DBL_MAX)) return;
  if (c->n > 0) {
    double last_t = c->t[c->n - 1], last = c->lambda[c->n - 1];
    if (t <= (1 + 1e-8) * last_t) return; /* the same in nine digits */
    if (!always && t < (1 + c->step) * last_t && fabs(log(lambda / last)) < c->step) return;
  }
  if (c->n == CURVE_MAX) curve_halve(c);
  c->t[c->n] = t;
  c->lambda[c->n++] = lambda;
}

/* Lambda at t, ln Lambda being linear between the points; behind the last one it stays. */
static double curve_at(const curve *c, double t) {
  size_t low = 0, high = c->n - 1;
  if (t >= c->t[high]) return c->lambda[high];
  if (t <= c->t[0]) return c->lambda[0];
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (c->t[middle] <= t) low = middle;
    else high = middle;
  }
  return c->lambda[low] * pow(c->lambda[high] / c->lambda[low], (t - c->t[low]) / (c->t[high] - c->t[low]));
}

/* ---- the file of the runs

   A line of JSON for each: its program, "figure_" and the scan; a word; its numbers, in this order; its status; its
   curve, if it has one. */

static const char line_begin[] = "{\"program\": \"figure_";

static const struct {
  const char *word;
  int numbers[NUMBERS + 1]; /* NUMBERS behind the last */
} forms[2] = {
    {"model", {D, H, ALPHA, TOL, P, SEED, T_STAR, LAMBDA_STAR, LAMBDA_MAX, T_END, NUMBERS}},
    {"method",
     {D, P, H, TEST_SIZE, ALPHA, TOL, SEED, TEST_ERROR, T_STAR, LAMBDA_START, LAMBDA_STAR, LAMBDA_MAX, NUMBERS}}};

static const char *word_of(const study *s, const run *r) {
  return !s->a->over_alpha ? s->a->model : is_kernel(r) ? "kernel" : "network";
}

/* The value of a field of a line, NULL: not there. */
static const char *field(const char *line, const char *name) {
  char key[32];
  const char *at;
  snprintf(key, sizeof key, "\"%s\":", name);
  at = strstr(line, key);
  return at ? at + strlen(key) + strspn(at + strlen(key), " ") : NULL;
}

static int field_is(const char *line, const char *name, const char *text) {
  const char *at = field(line, name);
  size_t length = strlen(text);
  return at && *at == '"' && !strncmp(at + 1, text, length) && at[1 + length] == '"';
}

/* A number, NaN for null. Returns 0 where there is neither. */
static int field_number(const char *line, const char *name, double *value) {
  const char *at = field(line, name);
  char *end;
  *value = (double)NAN;
  if (!at) return 0;
  if (!strncmp(at, "null", 4)) return 1;
  *value = strtod(at, &end);
  return end > at;
}

/* The numbers of an array; returns how many. */
static size_t field_array(const char *line, const char *name, double *values, size_t capacity) {
  const char *at = field(line, name);
  char *end;
  size_t n = 0;
  if (!at || *at++ != '[') return 0;
  for (; n < capacity; n++) {
    values[n] = strtod(at, &end);
    if (end == at) break;
    at = end + strspn(end, ", ");
  }
  return *at == ']' ? n : 0;
}

/* NULL where the line holds none. */
static curve *field_curve(const char *line) {
  curve *c = new_curve();
  size_t i;
  int good;
  c->n = field_array(line, "curve_t", c->t, CURVE_MAX);
  good = c->n >= 2 && field_array(line, "curve_lambda", c->lambda, CURVE_MAX) == c->n;
  for (i = 0; i < c->n; i++) good &= c->lambda[i] > 0 && (i == 0 || c->t[i] > c->t[i - 1]);
  if (good) return c;
  free(c);
  return NULL;
}

/* The wanted run that a line of these numbers is of, NULL: none. */
static run *place(const study *s, const char *line, const run *q) {
  size_t i;
  if (!field_is(line, "program", s->a->over_alpha ? "figure_alpha" : "figure_lambda")) return NULL;
  if (!field_is(line, forms[s->a->over_alpha].word, word_of(s, q))) return NULL;
  for (i = 0; i < s->rows * s->columns; i++)
    if (is_wanted(&s->runs[i]) && !memcmp(s->runs[i].number, q->number, SETTINGS * sizeof *q->number))
      return &s->runs[i];
  return NULL;
}

/* Takes over a line of the file, where it is a run of this study that is not known yet. A run to the end is good for
   what is asked to stop at t*, and one with a curve for one without. */
static void take_line(study *s, const char *line) {
  const char *status = field(line, "status");
  const int *k;
  run q, *r;
  forget(&q);
  for (k = forms[s->a->over_alpha].numbers; *k < NUMBERS; k++)
    if (!field_number(line, number_names[*k], &q.number[*k])) return;
  r = place(s, line, &q);
  if (!r || r->known || !status || *status != '"') return;

  settle(&q, status + 1);
  if (q.stopped && !s->a->until_tstar) return;
  if (r->curved && (q.ended || q.stopped) && !(q.curve = field_curve(line))) return;
  q.table = r->table;
  q.curved = r->curved;
  *r = q;
}

/* The whole file, with a 0 behind it; NULL: there is none, or it is a terminal or the like. */
static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  long end;
  if (!file && errno == ENOENT) return NULL;
  if (!file) fail("%s: cannot be read", path);
  end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
  if (end == LONG_MAX) fail("%s: cannot be read", path); /* a directory */
  if (end > 0) {
    *size = (size_t)end;
    text = (char *)zeros(*size + 1, 1, 1);
    if (fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, *size, file) != *size) fail("%s: cannot be read", path);
  }
  fclose(file);
  return text;
}

/* A last line without its end: whole, when it was written by an editor, say, or torn when a run was killed. */
static void take_last_line(study *s, const char *text, const char *line, size_t length) {
  size_t begin = length < strlen(line_begin) ? length : strlen(line_begin);
  if (length == 0) return;
  if (line[0] == '{' && line[length - 1] == '}') {
    take_line(s, line);
    s->open_ended = 1;
  } else if (!strncmp(line, line_begin, begin)) {
    s->torn = (long)(line - text);
  } else {
    fail("%s: its last line is torn, and none of this program's", s->path);
  }
}

static void read_results(study *s) {
  size_t size = 0, number = 1;
  char *text = read_file(s->path, &size), *line = text, *end;
  if (!text) return;
  for (; (end = (char *)memchr(line, '\n', size - (size_t)(line - text))) != NULL; line = end + 1, number++) {
    *end = 0;
    if (*line == '{') take_line(s, line);
    else if (line[strspn(line, " \t\r")])
      fail("%s: not a file of JSON lines (line %lu)", s->path, (unsigned long)number);
  }
  take_last_line(s, text, line, size - (size_t)(line - text));
  free(text);
}

/* Before the long work: to append, behind what is whole. */
static void open_results(study *s) {
  static char buffer[1024 + 64 * CURVE_MAX]; /* more than a line: each is one write */
  s->file = fopen(s->path, "ab");
  if (!s->file) fail("%s: cannot be written", s->path);
  setvbuf(s->file, buffer, _IOFBF, sizeof buffer);
  if (s->torn >= 0 && ftruncate(fileno(s->file), s->torn) != 0) fail("%s: cannot be written", s->path);
  if (s->open_ended && (fputc('\n', s->file) == EOF || fflush(s->file) != 0)) fail("%s: cannot be written", s->path);
}

/* In as few digits as give the same number again. */
static void write_number(FILE *file, const char *name, double value) {
  char text[32] = "null";
  int digits;
  for (digits = 15; !isnan(value) && digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  fprintf(file, ", \"%s\": %s", name, text);
}

static void write_array(FILE *file, const char *name, const double *values, size_t n) {
  size_t i;
  fprintf(file, ", \"%s\": [", name);
  for (i = 0; i < n; i++) fprintf(file, "%s%.9g", i > 0 ? ", " : "", values[i]);
  fputc(']', file);
}

/* Now it is known: in the file by one write, so that no line is ever torn but by a crash of the system. */
static void record(study *s, const run *r) {
  const int *k;
  s->found++;
  if (!s->file) return;
  fprintf(s->file, "%s%s\", \"%s\": \"%s\"", line_begin, s->a->scan, forms[s->a->over_alpha].word, word_of(s, r));
  for (k = forms[s->a->over_alpha].numbers; *k < NUMBERS; k++) write_number(s->file, number_names[*k], r->number[*k]);
  fprintf(s->file, ", \"status\": \"%s\"", r->status);
  if (r->curve) {
    write_array(s->file, "curve_t", r->curve->t, r->curve->n);
    write_array(s->file, "curve_lambda", r->curve->lambda, r->curve->n);
  }
  fputs("}\n", s->file);
  if (ferror(s->file) || fflush(s->file) != 0) fail("%s: cannot be written", s->path);
}

/* ---- while it runs */

static volatile sig_atomic_t interrupted;
static void interrupt(int number) { /* the first one ends the run, the second one the program */
  interrupted = 1;
  signal(number, SIG_DFL);
}

static double seconds(void) {
#ifdef _WIN32 /* where clock() is the time on the wall, and clock_gettime() in another library */
  return (double)clock() / CLOCKS_PER_SEC;
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#endif
}

static int progress(const char *stage, double done, void *user) {
  study *s = (study *)user;
  double left = s->worked > 0 ? (s->work - s->worked) * (seconds() - s->began) / s->worked : 0; /* at the pace so far */
  double unit = left < 100 ? 1 : left < 6000 ? 60 : 3600;
  char doing[96];
  (void)stage;
  if (s->terminal && seconds() - s->shown > 0.1) {
    s->shown = seconds();
    describe(s, s->current, doing);
    fprintf(stderr, "\r%lu of %lu known; %-28s %5.1f %%", (unsigned long)s->found, (unsigned long)s->total, doing,
            done > 0 ? 100 * done : 0);
    if (s->worked > 0) fprintf(stderr, "  %4.0f %-3s left", left / unit, unit < 60 ? "s" : unit < 3600 ? "min" : "h");
    fflush(stderr);
  }
  return interrupted != 0;
}

/* ---- a run */

static void draw(const study *s, const run *r, uint64_t stream, double n, invman_data *out) {
  invman_data_model model = {0};
  invman_rng rng;
  model.kind = s->a->label;
  model.d = (size_t)r->number[D];
  invman_rng_seed(&rng, (uint64_t)r->number[SEED], stream);
  check(invman_data_sample(s->ctx, &model, (size_t)n, &rng, out), "points");
}

static int one_label(const invman_data *data) {
  size_t i;
  for (i = 1; i < data->n; i++)
    if (data->y[i] != data->y[0]) return 0;
  return 1;
}

static double share_of_errors(const double *F, const invman_data *test) {
  size_t i, wrong = 0;
  for (i = 0; i < test->n; i++) wrong += !(test->y[i] * F[i] > 0);
  return (double)wrong / (double)test->n;
}

static int watch(const invman_flow_info *info, const invman_net *net, void *user) {
  const study *s = (const study *)user;
  (void)net;
  if (s->current->curve) curve_add(s->current->curve, info->t, info->lambda, 0);
  return s->a->until_tstar && info->t_star > 0;
}

/* What a run came to that was not interrupted. */
static void take_info(const study *s, const invman_flow *flow, const invman_data *test, run *r) {
  const invman_flow_info *info = invman_flow_get_info(flow);
  r->number[T_END] = info->t;
  if (info->t_star > 0) {
    r->number[T_STAR] = info->t_star;
    r->number[LAMBDA_STAR] = info->lambda_star;
  }
  if (!s->a->until_tstar) r->number[LAMBDA_MAX] = info->lambda_max;
  if (test->n > 0) {
    double *F = numbers(test->n, 1);
    check(invman_flow_predict(flow, test->x, test->n, F), "prediction");
    r->number[TEST_ERROR] = share_of_errors(F, test);
    free(F);
  }
  settle(r, info->end == INVMAN_END_REPORT ? at_t_star : invman_status_string(info->status));
}

static void train(study *s, invman_net *net, const invman_data *points, const invman_data *test, run *r) {
  invman_flow_options options = {0};
  const invman_flow_info *info;
  invman_flow *flow;
  options.alpha = r->number[ALPHA];
  options.rotation_tol = options.margin_tol = r->number[TOL];
  options.d_par = s->a->d_par;
  options.report = watch;
  options.user = s;

  r->number[LAMBDA_START] = invman_amplification(net, s->a->d_par);
  r->curve = r->curved ? new_curve() : NULL;
  if (r->curve) curve_add(r->curve, 0, r->number[LAMBDA_START], 1);
  check(invman_flow_create(s->ctx, net, points, &options, &flow), "training");
  check(invman_flow_run(flow), "training");
  info = invman_flow_get_info(flow);
  if (r->curve) curve_add(r->curve, info->t, info->lambda, 1);
  if (info->end != INVMAN_END_PROGRESS) take_info(s, flow, test, r);
  invman_flow_free(flow);
}

/* What the network would do for alpha -> infinity: F(x) = sum_mu a_mu K(x, x_mu), a block of test points at a time. */
static void learn(const study *s, const invman_net *net, const invman_data *points, const invman_data *test, run *r) {
  size_t n = points->n, block, first, i, j;
  double *K = numbers(n, n), *a = numbers(n, 1), *F = numbers(test->n, 1);
  invman_lazy_info info;
  check(invman_ntk_gram(s->ctx, net, INVMAN_NTK_ALL, points->x, n, NULL, 0, K), "kernel");
  check(invman_lazy_train(s->ctx, K, points->y, n, NULL, a, &info), "kernel");
  for (first = 0; first < test->n && !interrupted; first += block) {
    block = test->n - first < n ? test->n - first : n;
    check(invman_ntk_gram(s->ctx, net, INVMAN_NTK_ALL, test->x + first * test->d, block, points->x, n, K), "kernel");
    for (i = 0; i < block; i++)
      for (j = 0; j < n; j++) F[first + i] += K[i * n + j] * a[j];
  }
  if (!interrupted) {
    r->number[TEST_ERROR] = share_of_errors(F, test);
    settle(r, invman_status_string(info.status));
  }
  free(F);
  free(a);
  free(K);
}

static void work(study *s, run *r) {
  invman_data points, test = {0};
  invman_net net;
  invman_rng rng;
  s->current = r;
  s->shown = 0;
  progress("", 0, s);

  draw(s, r, INVMAN_STREAM_TRAIN, r->number[P], &points);
  if (r->number[TEST_SIZE] > 0) draw(s, r, INVMAN_STREAM_TEST, r->number[TEST_SIZE], &test);
  invman_rng_seed(&rng, (uint64_t)r->number[SEED], INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(s->ctx, (size_t)r->number[H], points.d, &rng, &net), "network");

  if (one_label(&points)) settle(r, "all labels are equal");
  else if (is_kernel(r)) learn(s, &net, &points, &test, r);
  else train(s, &net, &points, &test, r);
  if (r->known) record(s, r);
  s->worked += r->number[D] * r->number[P];

  invman_net_free(s->ctx, &net);
  invman_data_free(s->ctx, &test);
  invman_data_free(s->ctx, &points);
}

/* Seed by seed: after the first one something is known of every column. */
static void work_all(study *s) {
  size_t row, i;
  s->began = seconds();
  for (row = 0; row < s->rows; row++)
    for (i = 0; i < s->columns && !interrupted; i++) {
      run *r = run_at(s, row, s->a->over_alpha ? s->columns - 1 - i : i); /* the kernel first: it takes most memory */
      if (is_wanted(r) && !r->known) work(s, r);
    }
  if (s->terminal) fprintf(stderr, "\r%79s\r", "");
}

/* ---- what comes of them */

enum { ERROR, TIME, STAR, MOST, STAR_GAIN, MOST_GAIN, QUANTITIES };

/* One of them, NaN where the run has none. The gains are over the Lambda of the start, which is 1 on average. */
static double value_of(const study *s, const run *r, int quantity) {
  const double *x = r->number, none = (double)NAN, most = r->ended && !s->a->until_tstar ? x[LAMBDA_MAX] : none;
  if (!r->known) return none;
  if (quantity == ERROR) return r->ended ? x[TEST_ERROR] : none;
  if (quantity == TIME) return x[T_STAR] / tau_of(r);
  if (quantity == STAR) return x[LAMBDA_STAR];
  if (quantity == MOST) return most;
  return (quantity == STAR_GAIN ? x[LAMBDA_STAR] : most) / x[LAMBDA_START];
}

/* Of every seed. */
static double *values_of(const study *s, size_t column, int quantity) {
  return s->values + ((size_t)quantity * s->columns + column) * s->a->seeds.count;
}

static void evaluate(study *s) {
  size_t column, is;
  int quantity;
  s->values = numbers(QUANTITIES * s->columns, s->a->seeds.count);
  for (quantity = 0; quantity < QUANTITIES; quantity++)
    for (column = 0; column < s->columns; column++)
      for (is = 0; is < s->a->seeds.count; is++)
        values_of(s, column, quantity)[is] = value_of(s, run_at(s, is, column), quantity);
}

/* What was measured over the seeds: a mean, say, or a slope. */
typedef struct measure {
  size_t n;
  double value, error;      /* NaN where there is none; its standard error, 0 for one seed */
  double median, low, high; /* low, high: the quartiles */
} measure;

static int smaller_first(const void *a, const void *b) {
  const double *x = (const double *)a, *y = (const double *)b;
  return (*x > *y) - (*x < *y);
}

/* The value below which `share` of the n sorted ones lie, between two of them in proportion. */
static double quantile(const double *sorted, size_t n, double share) {
  double at = share * (double)(n - 1);
  size_t i = (size_t)at;
  return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

/* The mean of those that are not NaN, and their quartiles. */
static measure summarise(const double *values, size_t count) {
  measure m = {0, (double)NAN, 0, 0, 0, 0};
  double *sorted = numbers(count, 1), sum = 0, square = 0;
  size_t i;
  for (i = 0; i < count; i++)
    if (!isnan(values[i])) sum += sorted[m.n++] = values[i];
  if (m.n > 0) {
    m.value = sum / (double)m.n;
    for (i = 0; i < m.n; i++) square += (sorted[i] - m.value) * (sorted[i] - m.value);
    if (m.n > 1) m.error = sqrt(square / (double)(m.n - 1) / (double)m.n);

    qsort(sorted, m.n, sizeof *sorted, smaller_first);
    m.median = quantile(sorted, m.n, 0.5);
    m.low = quantile(sorted, m.n, 0.25);
    m.high = quantile(sorted, m.n, 0.75);
  }
  free(sorted);
  return m;
}

/* The ratio of two means over the seeds that have both. */
static measure ratio_of(const double *above, const double *below, size_t count) {
  double *rest = numbers(count, 1), up = 0, down = 0;
  measure m;
  size_t i;
  for (i = 0; i < count; i++) {
    if (isnan(above[i]) || isnan(below[i])) continue;
    up += above[i];
    down += below[i];
  }
  for (i = 0; i < count; i++) rest[i] = above[i] - up / down * below[i]; /* of mean 0 */
  m = summarise(rest, count);
  m.value = down > 0 ? up / down : (double)NAN;
  m.error = m.error * (double)m.n / down;
  free(rest);
  return m;
}

static measure mean_at(const study *s, size_t column, int quantity) {
  return summarise(values_of(s, column, quantity), s->a->seeds.count);
}

static measure ratio_at(const study *s, size_t above, size_t below, int quantity) {
  return ratio_of(values_of(s, above, quantity), values_of(s, below, quantity), s->a->seeds.count);
}

/* ---- the tables: shown, and with --out written whole, under another name first */

/* Into the table that is open. */
static void put(const study *s, const char *format, ...) {
  va_list rest;
  va_start(rest, format);
  if (s->table) vfprintf(s->table, format, rest);
  va_end(rest);
}

static void put_list(const study *s, const char *name, const list *l) {
  size_t i;
  put(s, "# %s =", name);
  for (i = 0; i < l->count; i++) put(s, "%s%.0f", i > 0 ? "," : " ", l->value[i]);
  put(s, "\n");
}

static void put_range(const study *s, const char *name, const range *r) {
  put(s, "# %s = %.0f:%.0f\n", name, r->first, r->first + (double)r->count - 1);
}

static void put_parameters(const study *s) {
  const arguments *a = s->a;
  const double *alpha = a->alpha.value;
  put(s, "# figure_scan %s, invman.h %d.%d.%d\n# model = %s\n", a->scan, INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
      INVMAN_VERSION_PATCH, a->model);
  if (!a->over_alpha) put(s, "# d_par = %lu\n", (unsigned long)a->d_par);
  put_list(s, "d", &a->d);
  put_list(s, "p", &a->p);
  if (a->over_alpha) put(s, "# h = %.0f\n# tol = %g\n# test_size = %.0f\n", a->h, a->tol, a->test_size);
  put_range(s, "seeds", &a->seeds);
  if (a->curve_p.count > 0) put_list(s, "curve_p", &a->curve_p);
  if (a->curve_p.count > 0) put_range(s, "curve_seeds", &a->curve_seeds);
  if (a->over_alpha)
    put(s, "# alpha = %g to %g, %lu values\n", alpha[0], alpha[a->alpha.count - 1], (unsigned long)a->alpha.count);
  else
    put(s, "# h = %.0f\n# alpha = %g\n# tol = %g\n# runs end = %s\n", a->h, alpha[0], a->tol,
        a->until_tstar ? "at t*" : "at zero loss");
  put(s, "# tau = h sqrt(d/2)\n");
}

static char *join(const char *directory, const char *name, const char *ending) {
  size_t length = strlen(directory) + strlen(name) + strlen(ending) + 2;
  char *path = (char *)zeros(length, 1, 1);
  snprintf(path, length, "%s/%s%s", directory, name, ending);
  return path;
}

/* Shows a table, and with --out writes it. head: notes, and the names of the columns. */
static void tabulate(study *s, const char *name, const char *head, void (*rows)(const study *)) {
  char *path = s->a->out ? join(s->a->out, name, "") : NULL, *temporary = path ? join(s->a->out, name, ".tmp") : NULL;
  int bad;
  if (path && !(s->table = fopen(temporary, "w"))) fail("%s: cannot be created", path);
  put_parameters(s);
  put(s, "%s", head);
  putchar('\n');
  rows(s);
  if (!path) return;

  bad = ferror(s->table);
  bad |= fclose(s->table) != 0;
#ifdef _WIN32
  if (!bad) remove(path);
#endif
  if (bad || rename(temporary, path) != 0) {
    remove(temporary);
    fail("%s: cannot be written", path);
  }
  s->table = NULL;
  printf("%s\n", path);
  free(temporary);
  free(path);
}

static void show_value(size_t n, double value, int width) {
  if (n > 0) printf(" %*.4g", width, value);
  else printf(" %*s", width, "-");
}

static void end_row(const study *s) {
  putchar('\n');
  put(s, "\n");
}

/* ---- lambda: medians and their exponents */

static size_t column_of(const study *s, double d, double p) {
  size_t column = 0;
  while (s->runs[column].number[D] != d || s->runs[column].number[P] != p) column++;
  return column;
}

static void put_quartiles(const study *s, measure m, int width) {
  show_value(m.n, m.median, width);
  if (m.n > 0) put(s, ",%.6g,%.6g,%.6g", m.median, m.low, m.high);
  else put(s, ",,,");
}

static const char medians_head[] =
    "# medians over the seeds, with first and third quartile; seeds: those with a Lambda*, and with a Lambda_max\n"
    "model,d [1],p [points],seeds [runs],lambda_star median [1],lambda_star q1 [1],lambda_star q3 [1],"
    "seeds_max [runs],lambda_max median [1],lambda_max q1 [1],lambda_max q3 [1],"
    "t_star median [tau],t_star q1 [tau],t_star q3 [tau]\n";
static void medians(const study *s) {
  const list *d = &s->a->d, *p = &s->a->p;
  size_t id, ip;
  for (id = 0; id < d->count; id++) {
    printf("d = %.0f, medians\n%8s %6s %9s %11s %9s\n", d->value[id], "p", "seeds", "Lambda*", "Lambda_max", "t*/tau");
    for (ip = 0; ip < p->count; ip++) {
      size_t column = column_of(s, d->value[id], p->value[ip]);
      measure star = mean_at(s, column, STAR), most = mean_at(s, column, MOST);
      printf("%8.0f %6lu", p->value[ip], (unsigned long)star.n);
      put(s, "%s,%.0f,%.0f,%lu", s->a->model, d->value[id], p->value[ip], (unsigned long)star.n);
      put_quartiles(s, star, 9);
      put(s, ",%lu", (unsigned long)most.n);
      put_quartiles(s, most, 11);
      put_quartiles(s, mean_at(s, column, TIME), 9);
      end_row(s);
    }
  }
}

/* The exponent of the medians in p. */
typedef struct fit {
  size_t n; /* of values of p; below 2 there is no exponent */
  double exponent, interval[2], slope[LIST_MAX];
  char verdict[32];     /* is the prediction in the interval? */
  const char *approach; /* do the local slopes come nearer to it with every p? */
} fit;

static const double predicted = 0.5;

static void judge(fit *f) {
  double outside = fmax(f->interval[0] - predicted, predicted - f->interval[1]);
  size_t i;
  strcpy(f->verdict, f->n < 2 ? "too few p" : "inside");
  if (f->n > 1 && f->interval[1] - f->interval[0] > DBL_MAX) strcpy(f->verdict, "too few seeds");
  else if (f->n > 1 && outside > 0) snprintf(f->verdict, sizeof f->verdict, "outside by %.3f", outside);
  f->approach = f->n < 3 ? "too few p" : "yes";
  for (i = 0; i + 2 < f->n; i++)
    if (!(fabs(f->slope[i + 1] - predicted) <= fabs(f->slope[i] - predicted))) f->approach = "no";
}

static fit fit_medians(const study *s, double d, int quantity) {
  size_t seeds = s->a->seeds.count, i;
  double p[LIST_MAX], median[LIST_MAX], *values = numbers(s->a->p.count, seeds);
  invman_rng rng;
  fit f = {0};
  for (i = 0; i < s->a->p.count; i++) {
    size_t column = column_of(s, d, s->a->p.value[i]);
    measure m = mean_at(s, column, quantity);
    if (m.n == 0) continue;
    memcpy(values + f.n * seeds, values_of(s, column, quantity), seeds * sizeof *values);
    p[f.n] = s->a->p.value[i];
    median[f.n++] = m.median;
  }

  for (i = 0; i + 1 < f.n; i++) f.slope[i] = log(median[i + 1] / median[i]) / log(p[i + 1] / p[i]);
  invman_rng_seed(&rng, 1, 5);
  if (f.n > 1)
    check(invman_median_power_law(s->ctx, p, values, f.n, seeds, 0, &rng, &f.exponent, f.interval), "exponent");
  judge(&f);
  free(values);
  return f;
}

static void put_fit(const study *s, double d, int quantity) {
  const char *name = number_names[quantity == STAR ? LAMBDA_STAR : LAMBDA_MAX];
  fit f = fit_medians(s, d, quantity);
  size_t i;
  printf("d = %.0f, %s: ", d, name);
  put(s, "%s,%.0f,%s,%g,", s->a->model, d, name, predicted);
  if (f.n > 1) {
    printf("exponent %.3f, 95 %% interval %.3f to %.3f, ", f.exponent, f.interval[0], f.interval[1]);
    put(s, "%.4f,%.4f,%.4f,", f.exponent, f.interval[0], f.interval[1]);
  } else {
    put(s, ",,,");
  }
  printf("predicted %g: %s\n  local slopes", predicted, f.verdict);
  for (i = 0; i + 1 < f.n; i++) {
    printf(" %.3f", f.slope[i]);
    put(s, "%s%.3f", i > 0 ? " " : "", f.slope[i]);
  }
  printf("; ever nearer: %s", f.approach);
  put(s, ",%s,%s", f.verdict, f.approach);
  end_row(s);
}

static const char exponents_head[] =
    "# exponent: of the medians in p, by least squares of the logarithms; interval: 95 %, from resampled seeds\n"
    "# local slopes: between one p and the next; approach: does their distance to the prediction never grow?\n"
    "# verdict: is the prediction in the interval, and how far outside if not\n"
    "model,d [1],quantity,predicted [1],exponent [1],interval low [1],interval high [1],local slopes [1],verdict,"
    "approach\n";
static void exponents(const study *s) {
  size_t id;
  for (id = 0; id < s->a->d.count; id++) {
    put_fit(s, s->a->d.value[id], STAR);
    put_fit(s, s->a->d.value[id], MOST);
  }
}

/* ---- lambda: the mean of Lambda in time */

static int has_curve(const run *r) { return r->curve && (r->ended || r->stopped); }

/* The curves of one d and p, times in tau. */
typedef struct bundle {
  size_t n;
  double t_star;      /* mean; NaN where one has none */
  double last, until; /* when the last of them ends; until when all are known (a run at rest is, for ever) */
} bundle;

static bundle collect(const study *s, size_t column) {
  bundle b = {0};
  size_t row;
  b.until = DBL_MAX;
  for (row = 0; row < s->rows; row++) {
    const run *r = run_at(s, row, column);
    double t_end = r->number[T_END] / tau_of(r);
    if (!has_curve(r)) continue;
    b.n++;
    b.t_star += r->number[T_STAR] / tau_of(r);
    b.last = fmax(b.last, t_end);
    if (r->stopped) b.until = fmin(b.until, t_end);
  }
  if (b.n > 0) b.t_star /= (double)b.n;
  return b;
}

static double mean_lambda(const study *s, size_t column, size_t n, double t) {
  double sum = 0;
  size_t row;
  for (row = 0; row < s->rows; row++)
    if (has_curve(run_at(s, row, column))) sum += curve_at(run_at(s, row, column)->curve, t);
  return sum / (double)n;
}

/* On a grid of times, in tau: 25 a decade from 0.1 on, or 200 to twice the latest t*. */
static void put_curve(const study *s, size_t column, double latest) {
  const run *r = run_at(s, 0, column);
  bundle b = collect(s, column);
  int linear = !strcmp(s->a->grid, "linear");
  double t = 0;
  size_t k;
  for (k = 0; t < b.last && (!linear || k <= 200); k++) {
    t = linear ? 2 * latest * (double)k / 200 : 0.1 * pow(10, (double)k / 25);
    if (t > b.until) break;
    put(s, "%s,%.0f,%.0f,%.6g,%.6g,%lu,", s->a->model, r->number[D], r->number[P], t,
        mean_lambda(s, column, b.n, t * tau_of(r)), (unsigned long)b.n);
    if (b.t_star > 0) put(s, "%.6g", b.t_star);
    put(s, "\n");
  }
}

static const char curves_head[] =
    "# the mean over the seeds on a grid of times that all curves share, ln Lambda being linear between steps;\n"
    "# a run at rest keeps its Lambda; where runs end at t*, a curve ends with the first of them\n"
    "model,d [1],p [points],t [tau],lambda mean [1],seeds [runs],t_star mean [tau]\n";
static void curves(const study *s) {
  const list *d = &s->a->d, *p = &s->a->curve_p;
  double latest = 0;
  size_t i;
  for (i = 0; i < d->count * p->count; i++)
    latest = fmax(latest, collect(s, column_of(s, d->value[i / p->count], p->value[i % p->count])).t_star);
  for (i = 0; i < d->count * p->count; i++)
    put_curve(s, column_of(s, d->value[i / p->count], p->value[i % p->count]), latest);
}

/* ---- alpha: the means */

static void put_mean(const study *s, measure m, int width) {
  show_value(m.n, m.value, width);
  if (m.n == 0) put(s, ",,");
  else if (m.n == 1) put(s, ",%.6g,", m.value);
  else put(s, ",%.6g,%.3g", m.value, m.error);
}

static const char scan_head[] =
    "# means over the seeds, with standard errors; seeds: those that reached zero loss\n"
    "# frozen_error: the test error of the frozen kernel of the start, which is that of alpha -> infinity\n"
    "alpha [1],seeds [runs],test_error mean [1],test_error stderr [1],t_star mean [tau],t_star stderr [tau],"
    "lambda_star mean [1],lambda_star stderr [1],lambda_max mean [1],lambda_max stderr [1],"
    "frozen_error mean [1],frozen_error stderr [1]\n";
static void scan(const study *s) {
  const list *alpha = &s->a->alpha;
  size_t ia;
  printf("%9s %6s %10s %9s %9s %11s %9s\n", "alpha", "seeds", "test error", "t*/tau", "Lambda*", "Lambda_max",
         "frozen");
  for (ia = 0; ia < alpha->count; ia++) {
    measure wrong = mean_at(s, ia, ERROR);
    printf("%9.3g %6lu", alpha->value[ia], (unsigned long)wrong.n);
    put(s, "%.10g,%lu", alpha->value[ia], (unsigned long)wrong.n);
    put_mean(s, wrong, 10);
    put_mean(s, mean_at(s, ia, TIME), 9);
    put_mean(s, mean_at(s, ia, STAR), 9);
    put_mean(s, mean_at(s, ia, MOST), 11);
    put_mean(s, mean_at(s, alpha->count, ERROR), 9);
    end_row(s);
  }
}

/* ---- alpha: what is expected at both ends, measured */

enum { NEAR, BELOW, OPEN }; /* the measured should be near the expected, below it; nothing is expected */

/* Of the alphas from number `low` to `high`; where nothing was measured it is left out. */
static void state(const study *s, const char *what, size_t low, size_t high, measure m, int kind, double expected) {
  double tolerance = kind == NEAR ? fmax(2 * m.error, 0.02) : 2 * m.error, over = m.value - expected;
  int agrees = kind == NEAR ? fabs(over) <= tolerance : over < -tolerance;
  const char *below = kind == BELOW ? "below " : "", *verdict = kind == OPEN ? "-" : agrees ? "yes" : "no";
  char where[64];
  if (isnan(m.value)) return;
  if (low < high) snprintf(where, sizeof where, "%g to %g", s->a->alpha.value[low], s->a->alpha.value[high]);
  else snprintf(where, sizeof where, "%g", s->a->alpha.value[low]);
  printf("%s\n  alpha %s: %.7g +- %.2g", what, where, m.value, m.error);
  put(s, "\"%s\",%s,%.9g,%.3g,", what, where, m.value, m.error);
  if (kind != OPEN) {
    printf(", predicted %s%.5g: %s", below, expected, verdict);
    put(s, "%s%.6g,%.3g", below, expected, tolerance);
  } else {
    put(s, ",");
  }
  put(s, ",%s", verdict);
  end_row(s);
}

static void plateaus(const study *s) {
  size_t kernel = s->a->alpha.count, top = kernel - 1;
  if (top > 0) {
    state(s, "test error at the smallest alpha over that at the next", 0, 1, ratio_at(s, 0, 1, ERROR), NEAR, 1);
    state(s, "Lambda* at the smallest alpha over that at the next", 0, 1, ratio_at(s, 0, 1, STAR), NEAR, 1);
    state(s, "Lambda_max at the smallest alpha over that at the next", 0, 1, ratio_at(s, 0, 1, MOST), NEAR, 1);
  }
  state(s, "test error at the smallest alpha over the frozen kernel's", 0, 0, ratio_at(s, 0, kernel, ERROR), BELOW, 1);
  state(s, "test error at the largest alpha over the frozen kernel's", top, top, ratio_at(s, top, kernel, ERROR), NEAR,
        1);
  state(s, "Lambda* at the largest alpha over Lambda at the start", top, top, mean_at(s, top, STAR_GAIN), NEAR, 1);
  state(s, "Lambda_max at the largest alpha over Lambda at the start", top, top, mean_at(s, top, MOST_GAIN), NEAR, 1);
}

/* The slope of ln t* against ln alpha between two of them. */
static measure slope_at(const study *s, size_t low, size_t high) {
  const double *first = values_of(s, low, TIME), *last = values_of(s, high, TIME), *alpha = s->a->alpha.value;
  double *slope = numbers(s->a->seeds.count, 1);
  measure m;
  size_t is;
  for (is = 0; is < s->a->seeds.count; is++) slope[is] = log(last[is] / first[is]) / log(alpha[high] / alpha[low]);
  m = summarise(slope, s->a->seeds.count);
  free(slope);
  return m;
}

/* The largest alpha that is at least a decade below number `ia`; `ia` if there is none. */
static size_t decade_below(const double *alpha, size_t ia) {
  size_t i;
  for (i = ia; i > 0; i--)
    if (alpha[i - 1] <= 0.1 * (1 + 1e-9) * alpha[ia]) return i - 1;
  return ia;
}

static void lazy_end(const study *s) {
  const double *alpha = s->a->alpha.value;
  size_t last = s->a->alpha.count - 1, below = decade_below(alpha, last), lower = decade_below(alpha, below);
  if (below < last)
    state(s, "slope of ln t* against ln alpha, largest decade", below, last, slope_at(s, below, last), NEAR, -1);
  if (lower < below)
    state(s, "slope of ln t* against ln alpha, the decade before", lower, below, slope_at(s, lower, below), NEAR, -1);
}

/* The feature end: t-star/tau against ln(1/alpha). Before t-star a neuron at its attractor grows as exp(t/tau-star),
   omega, b and beta alike, and f is bilinear in (omega, b) and beta: F = alpha (f - f_0) ~ alpha exp(2 t/tau-star). It
   is of order 1 at t-star/tau = (tau-star/(2 tau)) ln(1/alpha) + constant, tau-star being the fastest attractor's. */

/* How many of the smallest alphas are the feature end: those up to 1e-6, or three. */
static size_t feature_count(const list *alpha) {
  size_t n = 0;
  while (n < alpha->count && (n < 3 || alpha->value[n] <= 1e-6 * (1 + 1e-9))) n++;
  return n;
}

/* The slope of y against x, by least squares; it needs two points, R^2 three. */
static measure fit_line(const double *x, const double *y, size_t n, double *r2) {
  measure slope = {n, (double)NAN, 0, 0, 0, 0};
  double mx = summarise(x, n).value, my = summarise(y, n).value, xx = 0, xy = 0, yy = 0, rest;
  size_t i;
  *r2 = (double)NAN;
  if (n < 2) return slope;
  for (i = 0; i < n; i++) {
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
    yy += (y[i] - my) * (y[i] - my);
  }
  slope.value = xy / xx;
  if (n < 3) return slope;
  rest = fmax(yy - slope.value * xy, 0);
  slope.error = sqrt(rest / (double)(n - 2) / xx);
  *r2 = yy > 0 ? 1 - rest / yy : 1;
  return slope;
}

/* Of a seed; of the means over the seeds, is = seeds.count. */
static measure fit_time(const study *s, size_t is, double *r2) {
  double x[LIST_MAX], y[LIST_MAX];
  size_t n = 0, ia;
  for (ia = 0; ia < feature_count(&s->a->alpha); ia++) {
    x[n] = -log(s->a->alpha.value[ia]);
    y[n] = is < s->a->seeds.count ? values_of(s, ia, TIME)[is] : mean_at(s, ia, TIME).value;
    n += isnan(y[n]) ? 0 : 1;
  }
  return fit_line(x, y, n, r2);
}

/* The fastest attractor of infinitely many points. */
static invman_fixed_point attractor(size_t d) {
  invman_fixed_point points[16];
  size_t found, i, best = 0;
  check(invman_stripe_fixed_points(NULL, 0, d, points, 16, &found), "attractors");
  for (i = 1; i < found && i < 16; i++)
    if (points[i].time < points[best].time) best = i;
  return points[best];
}

static double norm_of(const double *v, size_t n) {
  double sum = 0;
  size_t i;
  for (i = 0; i < n; i++) sum += v[i] * v[i];
  return sqrt(sum);
}

/* G (d+1) = <y 1[u.x > 0] x> over the points x = (x/sqrt(d), 1), for u = (omega, b): a neuron's weights are pushed
   along it. Returns its norm. */
static double push(const invman_data *points, const double *u, double *G) {
  double root = sqrt((double)points->d);
  size_t d = points->d, i, k;
  memset(G, 0, (d + 1) * sizeof *G);
  for (i = 0; i < points->n; i++) {
    const double *x = points->x + i * d;
    double z = u[d], share = points->y[i] / (double)points->n;
    for (k = 0; k < d; k++) z += u[k] * x[k] / root;
    if (!(z > 0)) continue;
    for (k = 0; k < d; k++) G[k] += share * x[k] / root;
    G[d] += share;
  }
  return norm_of(G, d + 1);
}

/* tau-star/tau of the attractor that these points have where infinitely many have theirs: u turns along G, or against
   it, until they are parallel. Neurons there grow at the rate |G| sqrt(d)/tau. */
static double time_of_points(const invman_data *points, const invman_fixed_point *start) {
  size_t d = points->d, k, round;
  double *u = numbers(d + 1, 1), *G = numbers(d + 1, 1), size = 0;
  double side = start->c1 * start->sign > 0 ? 1 : -1;
  u[0] = start->sign;
  u[d] = -start->z * u[0] / sqrt((double)d);
  for (round = 0; round < 1000; round++) {
    double norm = norm_of(u, d + 1);
    size = push(points, u, G);
    for (k = 0; k <= d && size > 0; k++) u[k] = 0.95 * u[k] / norm + 0.05 * side * G[k] / size;
  }
  free(u);
  free(G);
  return 1 / (size * sqrt((double)d));
}

/* Of every seed the slope, where it has every t*, and half of what its own points have for tau-star/tau. */
static void slopes_of_seeds(const study *s, const invman_fixed_point *fastest, double *slope, double *own) {
  size_t is;
  for (is = 0; is < s->a->seeds.count; is++) {
    double r2;
    measure m = fit_time(s, is, &r2);
    invman_data points;
    draw(s, run_at(s, is, 0), INVMAN_STREAM_TRAIN, s->a->p.value[0], &points);
    slope[is] = m.n < feature_count(&s->a->alpha) ? (double)NAN : m.value;
    own[is] = one_label(&points) ? (double)NAN : 0.5 * time_of_points(&points, fastest);
    invman_data_free(s->ctx, &points);
  }
}

static void feature_end(const study *s) {
  size_t last = feature_count(&s->a->alpha) - 1, seeds = s->a->seeds.count;
  double *slope = numbers(seeds, 1), *own = numbers(seeds, 1);
  invman_fixed_point fastest = attractor((size_t)s->a->d.value[0]);
  measure r2 = {0}, fitted = fit_time(s, seeds, &r2.value);
  slopes_of_seeds(s, &fastest, slope, own);
  state(s, "slope of t*/tau against ln(1/alpha), mean over the seeds; predicted tau*/(2 tau)", 0, last,
        summarise(slope, seeds), NEAR, 0.5 * fastest.time);
  state(s, "slope of t*/tau against ln(1/alpha), fit to the means, with the fit's error", 0, last, fitted, OPEN, 0);
  state(s, "R^2 of that fit", 0, last, r2, NEAR, 1);
  state(s, "tau*/(2 tau) of the same attractor, of these finitely many points", 0, last, summarise(own, seeds), OPEN,
        0);
  state(s, "the seeds' slopes over that", 0, last, ratio_of(slope, own, seeds), NEAR, 1);
  free(slope);
  free(own);
}

static const char verdicts_head[] =
    "# agrees: within the tolerance, two standard errors or 0.02 where that is more; 'below': by more than\n"
    "# two standard errors. All values are pure numbers.\n"
    "# tau*: the growth time of the fastest attractor; weights grow as exp(t/tau*), so F as alpha exp(2 t/tau*),\n"
    "# which is 1 at t*/tau = tau*/(2 tau) ln(1/alpha) + constant\n"
    "statement,alpha [1],measured [1],stderr [1],predicted [1],tolerance [1],agrees\n";
static void verdicts(const study *s) {
  plateaus(s);
  lazy_end(s);
  feature_end(s);
}

/* ---- all of it */

/* Plans the runs, and finds those that are known. */
static void begin(study *s) {
  const arguments *a = s->a;
  size_t i;
  plan(s);
  if (a->out) {
    if (mkdir(a->out, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", a->out);
    s->path = join(a->out, "runs.jsonl", "");
    read_results(s);
  }
  for (i = 0; i < s->rows * s->columns; i++) {
    const run *r = &s->runs[i];
    if (r->known) s->found++;
    else if (is_wanted(r)) s->work += r->number[D] * r->number[P];
  }
  if (a->out && s->found < s->total) open_results(s);
  printf("%s: %s, h = %.0f; %lu of %lu runs are known\n", a->scan, a->model, a->h, (unsigned long)s->found,
         (unsigned long)s->total);
  fflush(stdout);
}

static void tabulate_all(study *s) {
  evaluate(s);
  if (s->a->over_alpha) {
    tabulate(s, "alpha_scan.csv", scan_head, scan);
    tabulate(s, "alpha_verdict.csv", verdicts_head, verdicts);
  } else {
    tabulate(s, "lambda_vs_p.csv", medians_head, medians);
    tabulate(s, "lambda_exponents.csv", exponents_head, exponents);
    if (s->a->out && s->a->curve_p.count > 0) tabulate(s, "lambda_vs_t.csv", curves_head, curves);
  }
}

/* The runs that do not count, and why. */
static void show_unused(const study *s) {
  size_t i, unused = 0;
  char text[96];
  for (i = 0; i < s->rows * s->columns; i++) {
    const run *r = &s->runs[i];
    int early = !is_kernel(r) && !(r->number[T_STAR] > 0);
    if (!r->known || ((r->ended || r->stopped) && !early)) continue;
    if (unused++ == 0) printf("\nnot used, or not for everything\n");
    describe(s, r, text);
    printf("%s: %s%s\n", text, r->status, early ? "; t* was not reached" : "");
  }
}

static void end(study *s) {
  size_t i;
  if (s->file && fclose(s->file) != 0) fail("%s: cannot be written", s->path);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  for (i = 0; i < s->rows * s->columns; i++) free(s->runs[i].curve);
  free(s->runs);
  free(s->values);
  free(s->path);
}

int main(int argc, char **argv) {
  invman_context ctx = {0};
  arguments a;
  study s = {0};
  parse(argc, argv, &a);
  ctx.error = &error;
  ctx.progress = progress;
  ctx.user = &s;
  s.ctx = &ctx;
  s.a = &a;
  s.torn = -1;
  s.terminal = isatty(fileno(stderr));

  begin(&s);
  signal(SIGINT, interrupt);
  work_all(&s);
  tabulate_all(&s);
  show_unused(&s);
  if (interrupted) printf("\nstopped: %lu of %lu runs are known\n", (unsigned long)s.found, (unsigned long)s.total);
  end(&s);
  return 0;
}
