/* Two scans. lambda: compression against the number of training points, Lambda at t* and the largest Lambda, their
   exponents beside the prediction 1/2, and Lambda in time (Fig. 5 of the paper, and the top of Fig. 7). alpha: from
   features to the frozen kernel, test error, t* and Lambda against the scale alpha of the predictor (Fig. 11,
   Appendix B), and what theory says of both ends. Runs go to a file as they end; a rerun goes on.

   cc -O2 -fopenmp examples/figure_scan.c -o figure_scan -lm
   ./figure_scan --help */
#define INVMAN_IMPLEMENTATION
#include "tool.h"

enum { OVER_P, OVER_ALPHA }; /* the modes */

typedef struct arguments {
  int over_alpha; /* the scan: over alpha, else over p */
  const char *out;
  list d, p, curve_p, alpha; /* over alpha one d and one p, else one alpha */
  ratios alphas;             /* --alpha-range */
  range seeds, curve_seeds;
  size_t h, test_size, d_par;
  double tol;
  task task;
  int model, linear, until_tstar; /* model: INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.model, 0, 0, "stripe", "where the labels change", 1 << OVER_P},
    {"--d", "N,N,...", read_increasing, &asked.d, 1, 0, NULL, "inputs (stripe 5, cylinder 3)", 1 << OVER_P},
    {"--p", "N,N,...", read_increasing, &asked.p, 1, 0, "128,256,512,1024", "numbers of training points", 1 << OVER_P},
    {"--seeds", "A:B", read_range, &asked.seeds, 0, 100000, "1:10", "of points and weights, A to B", 1 << OVER_P},
    {"--curve-p", "N,N,...", read_increasing, &asked.curve_p, 1, 0, NULL,
     "those whose Lambda(t) is recorded, of --p or others (none)", 1 << OVER_P},
    {"--curve-seeds", "A:B", read_range, &asked.curve_seeds, 0, 100000, NULL,
     "the seeds it is the mean of (those of --seeds)", 1 << OVER_P},
    {"--grid", "log|linear", read_word, &asked.linear, 0, 0, "log", "its times; linear: to twice t*", 1 << OVER_P},
    {"--alpha", "A", read_increasing_reals, &asked.alpha, 0, 1, "1e-6", "scale of the predictor", 1 << OVER_P},
    {"--until-tstar", NULL, read_switch, &asked.until_tstar, 0, 0, NULL,
     "stop each run at t*: faster, and without Lambda_max", 1 << OVER_P},
    {"--d", "N", read_increasing, &asked.d, 1, 1, "10", "inputs of the single stripe", 1 << OVER_ALPHA},
    {"--p", "N", read_increasing, &asked.p, 1, 1, "1000", "training points", 1 << OVER_ALPHA},
    {"--seeds", "A:B", read_range, &asked.seeds, 0, 100000, "1:5", "of points and weights, A to B", 1 << OVER_ALPHA},
    {"--alpha", "A,A,...", read_increasing_reals, &asked.alpha, 0, 0, NULL, "scales of the predictor, increasing",
     1 << OVER_ALPHA},
    {"--alpha-range", "LOW:HIGH:N", read_ratios, &asked.alphas, 2, LIST_MOST, "1e-16:1e8:25",
     "or N of them from LOW to HIGH, in equal ratios", 1 << OVER_ALPHA},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 9e15, "10000", "test points", 1 << OVER_ALPHA},
    {"--h", "N", read_whole, &asked.h, 1, 9e15, "1000", "neurons", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--out", "DIRECTORY", read_folder, &asked.out, 0, 0, NULL,
     "for the files below, made if need be; without it they are not written", 0},
    {"--task", "I/N", read_task, &asked.task, 0, 0, NULL,
     "only the I-th of N parts of the runs, to runs.jsonl.I-of-N; what all parts found is read, and tables are written "
     "without --task",
     0},
};

#define RUNS_FILE                                                                                                     \
  "\n  runs.jsonl            a line of JSON per run, times in the units of t (not of tau); what is there already is " \
  "not "                                                                                                              \
  "computed again. Lines of other settings stay as they are; the torn last line of a program that was killed is "     \
  "removed."

static const mode modes[] = {
    {"lambda", "compression against the number of points, its exponent, its course in time",
     "  figure_scan lambda --d 5,10 --p 128,256,512,1024 --curve-p 128,1024 --seeds 1:10 --out lambda\n"
     "\n"
     "In DIRECTORY, where tables of the same name are replaced (one for each model, say):\n"
     "  lambda_vs_p.csv       medians and quartiles over the seeds of Lambda*, Lambda_max, t*/tau; tau = h sqrt(d/2)\n"
     "  lambda_exponents.csv  exponents of the medians, with 95 % bootstrap intervals, against the prediction 1/2\n"
     "  lambda_vs_t.csv       the mean Lambda(t); a run that is at rest keeps its Lambda" RUNS_FILE},
    {"alpha", "test error, t* and compression against the scale alpha of the predictor",
     "  figure_scan alpha --seeds 1:5 --h 10000 --out alpha\n"
     "\n"
     "In DIRECTORY:\n"
     "  alpha_scan.csv        means over the seeds and their standard errors; the frozen kernel's test error, of the "
     "same points and networks, in every row\n"
     "  alpha_verdict.csv     what is expected at both ends, measured" RUNS_FILE
     "\nThe frozen kernel takes 8 p^2 bytes."},
    {NULL, NULL, NULL}};

static const program description = {
    "figure_scan",
    "what a network learns, against the number of training points and the scale of its predictor",
    "  figure_scan lambda|alpha [options]",
    "Training sets are nested: a seed's first points are the same for every p. Ctrl-C ends the runs early: what is "
    "known "
    "is written, and shown; a second one ends the program.\n"
    "\n"
    "Exit status: 0 done; 2 bad input, or a file cannot be written; 3 interrupted.",
    modes,
    options,
    sizeof options / sizeof *options};

/* N values in equal ratios; to ten digits, so that the powers of ten are what one would write. */
static void spread(const ratios *r, list *l) {
  double n = (double)r->count, i;
  if (!(r->low < r->high)) fail("--alpha-range: the values must increase");
  for (i = 0; i < n; i++) {
    char value[32];
    snprintf(value, sizeof value, "%.10g", exp((1 - i / (n - 1)) * log(r->low) + i / (n - 1) * log(r->high)));
    l->value[l->count++] = strtod(value, NULL);
    if (i > 0 && !(l->value[l->count - 1] > l->value[l->count - 2])) fail("--alpha-range: too many values");
  }
}

static void complete(arguments *a) {
  if (a->task.count > 0 && !a->out) fail("--task: --out says where");
  if (a->over_alpha && given("--alpha") && given("--alpha-range")) fail("give one of --alpha and --alpha-range");
  if (a->over_alpha && a->alpha.count == 0) spread(&a->alphas, &a->alpha);
  a->d_par = a->model == INVMAN_CYLINDER ? 2 : 1;
  if (a->d.count == 0) a->d.value[a->d.count++] = a->model == INVMAN_CYLINDER ? 3 : 5;
  if (a->d.value[0] <= (double)a->d_par) fail("--d must be at least %lu", (unsigned long)(a->d_par + 1));
  if (a->curve_seeds.count == 0) a->curve_seeds = a->seeds;
  if (a->curve_p.count == 0) a->curve_seeds.count = 0;
}

static const char *model_of(const arguments *a) { return a->model == INVMAN_CYLINDER ? "cylinder" : "stripe"; }

static int is_in(const list *l, double value) {
  size_t i;
  for (i = 0; i < l->count && l->value[i] != value; i++) continue;
  return i < l->count;
}

static int is_within(const range *r, double value) {
  return value >= (double)r->first && value - (double)r->first < (double)r->count;
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
  char *path; /* of the runs' file; NULL: none */
  journal file;
  text table; /* the one that is being made */
  run *runs;  /* (rows, columns): rows of a seed, those of --seeds first; columns of a d and p, or of an alpha */
  size_t rows, columns, total, found; /* total: the wanted ones */
  double *values;                     /* (QUANTITIES, columns, seeds): what came of them */
  double work, worked;                /* work: of the runs not known at the start, in units of d p */
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

static void describe(const study *s, const run *r, char what[96]) {
  const double *x = r->number;
  if (!s->a->over_alpha) snprintf(what, 96, "d = %.0f, p = %.0f, seed %.0f", x[D], x[P], x[SEED]);
  else if (is_kernel(r)) snprintf(what, 96, "seed %.0f, frozen kernel", x[SEED]);
  else snprintf(what, 96, "seed %.0f, alpha = %g", x[SEED], x[ALPHA]);
}

/* Columns go over d, p and alpha, the last one fastest: --p, then --curve-p; --alpha, then the frozen kernel. Rows go
   over --seeds, then --curve-seeds. What comes up again is not wanted again. */
static void plan_run(const arguments *a, size_t row, size_t column, run *r) {
  size_t alphas = a->alpha.count + (a->over_alpha ? 1 : 0), points = a->p.count + a->curve_p.count;
  size_t ia = column % alphas, ip = column / alphas % points, id = column / alphas / points;
  int table_p = ip < a->p.count, table_seed = row < a->seeds.count;
  double p = table_p ? a->p.value[ip] : a->curve_p.value[ip - a->p.count];
  size_t number = table_seed ? a->seeds.first + row : a->curve_seeds.first + (row - a->seeds.count);
  double seed = (double)number;
  int again = (!table_p && is_in(&a->p, p)) || (!table_seed && is_within(&a->seeds, seed));
  forget(r);
  r->number[D] = a->d.value[id];
  r->number[P] = p;
  r->number[H] = (double)a->h;
  r->number[TEST_SIZE] = a->over_alpha ? (double)a->test_size : unknown;
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
  return !s->a->over_alpha ? model_of(s->a) : is_kernel(r) ? "kernel" : "network";
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
static void take_run(const char *line, void *user) {
  study *s = (study *)user;
  const char *status = field(line, "status");
  const int *k;
  run q, *r;
  forget(&q);
  for (k = forms[s->a->over_alpha].numbers; *k < NUMBERS; k++)
    if (!field_number(line, number_names[*k], unknown, &q.number[*k])) return;
  r = place(s, line, &q);
  if (!r || r->known || !status || *status != '"') return;

  settle(&q, status + 1);
  if (q.stopped && !s->a->until_tstar) return;
  if (r->curved && (q.ended || q.stopped) && !(q.curve = field_curve(line))) return;
  q.table = r->table;
  q.curved = r->curved;
  *r = q;
}

static void put_array(text *t, const char *name, const double *values, size_t n) {
  size_t i;
  put(t, ", \"%s\": [", name);
  for (i = 0; i < n; i++) put(t, "%s%.9g", i > 0 ? ", " : "", values[i]);
  put(t, "]");
}

/* Now it is known, and in the file. */
static void record(study *s, const run *r) {
  text line = {NULL, 0, 0};
  const int *k;
  s->found++;
  put(&line, "%s%s\", \"%s\": \"%s\"", line_begin, modes[s->a->over_alpha].name, forms[s->a->over_alpha].word,
      word_of(s, r));
  for (k = forms[s->a->over_alpha].numbers; *k < NUMBERS; k++) put_field(&line, number_names[*k], r->number[*k], 15);
  put(&line, ", \"status\": \"%s\"", r->status);
  if (r->curve) {
    put_array(&line, "curve_t", r->curve->t, r->curve->n);
    put_array(&line, "curve_lambda", r->curve->lambda, r->curve->n);
  }
  put(&line, "}\n");
  append(&s->file, &line);
}

/* ---- a run */

static invman_data draw(const study *s, const run *r, uint64_t stream, double n) {
  invman_data_model model = {0};
  model.kind = s->a->model;
  model.d = (size_t)r->number[D];
  return sample(s->ctx, &model, (size_t)n, (size_t)r->number[SEED], stream, "points");
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
  if (test->n > 0) r->number[TEST_ERROR] = flow_error(flow, test);
  settle(r, info->end == INVMAN_END_REPORT ? at_t_star : invman_status_string(info->status));
}

static void train(study *s, invman_net *net, const invman_data *points, const invman_data *test, run *r) {
  invman_flow_options o = {0};
  const invman_flow_info *info;
  invman_flow *flow;
  o.alpha = r->number[ALPHA];
  o.rotation_tol = o.margin_tol = r->number[TOL];
  o.d_par = s->a->d_par;
  o.report = watch;
  o.user = s;

  r->number[LAMBDA_START] = invman_amplification(net, s->a->d_par);
  r->curve = r->curved ? new_curve() : NULL;
  if (r->curve) curve_add(r->curve, 0, r->number[LAMBDA_START], 1);
  check(invman_flow_create(s->ctx, net, points, &o, &flow), "training");
  check(invman_flow_run(flow), "training");
  info = invman_flow_get_info(flow);
  if (r->curve) curve_add(r->curve, info->t, info->lambda, 1);
  if (info->end != INVMAN_END_PROGRESS) take_info(s, flow, test, r);
  invman_flow_free(flow);
}

/* What the network would do for alpha -> infinity. */
static void learn(const study *s, const invman_net *net, const invman_data *points, const invman_data *test, run *r) {
  size_t n = points->n;
  double *K = numbers(n, n), *a = numbers(n, 1), *F = numbers(test->n, 1);
  invman_lazy_info info;
  gram(s->ctx, net, INVMAN_NTK_ALL, points->d, points->x, n, NULL, 0, K);
  check(invman_lazy_train(s->ctx, K, points->y, n, NULL, a, &info), "kernel");
  kernel_predict(s->ctx, net, INVMAN_NTK_ALL, points, a, test, F);
  if (!interrupted) {
    r->number[TEST_ERROR] = share_of_errors(F, test);
    settle(r, invman_status_string(info.status));
  }
  free(F);
  free(a);
  free(K);
}

static void work(study *s, run *r) {
  double size = r->number[D] * r->number[P];
  invman_data points = draw(s, r, INVMAN_STREAM_TRAIN, r->number[P]), test = {0};
  invman_net net = new_net(s->ctx, (size_t)r->number[H], points.d, (size_t)r->number[SEED]);
  char what[96];
  describe(s, r, what);
  s->current = r;
  begin_stage(s->worked / s->work, size / s->work, "%lu of %lu known; %s", (unsigned long)s->found,
              (unsigned long)s->total, what);
  progress("", 0, NULL);

  if (r->number[TEST_SIZE] > 0) test = draw(s, r, INVMAN_STREAM_TEST, r->number[TEST_SIZE]);
  if (!has_both(&points)) settle(r, "all labels are equal");
  else if (is_kernel(r)) learn(s, &net, &points, &test, r);
  else train(s, &net, &points, &test, r);
  if (r->known) record(s, r);
  s->worked += size;

  invman_net_free(s->ctx, &net);
  invman_data_free(s->ctx, &test);
  invman_data_free(s->ctx, &points);
}

/* Seed by seed: after the first one something is known of every column. */
static void work_all(study *s) {
  size_t row, i;
  for (row = 0; row < s->rows; row++)
    for (i = 0; i < s->columns && !interrupted; i++) {
      run *r = run_at(s, row, s->a->over_alpha ? s->columns - 1 - i : i); /* the kernel first: it takes most memory */
      if (is_mine(&s->a->task, (size_t)(r - s->runs)) && is_wanted(r) && !r->known) work(s, r);
    }
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

static void put_list(text *t, const char *name, const list *l) {
  size_t i;
  put(t, "# %s =", name);
  for (i = 0; i < l->count; i++) put(t, "%s%.0f", i > 0 ? "," : " ", l->value[i]);
  put(t, "\n");
}

static void put_range(text *t, const char *name, const range *r) {
  put(t, "# %s = %lu:%lu\n", name, (unsigned long)r->first, (unsigned long)(r->first + r->count - 1));
}

static void put_parameters(text *t, const arguments *a) {
  const double *alpha = a->alpha.value;
  put(t, "# figure_scan %s, invman.h %d.%d.%d\n# model = %s\n", modes[a->over_alpha].name, INVMAN_VERSION_MAJOR,
      INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, model_of(a));
  if (!a->over_alpha) put(t, "# d_par = %lu\n", (unsigned long)a->d_par);
  put_list(t, "d", &a->d);
  put_list(t, "p", &a->p);
  if (a->over_alpha)
    put(t, "# h = %lu\n# tol = %g\n# test_size = %lu\n", (unsigned long)a->h, a->tol, (unsigned long)a->test_size);
  put_range(t, "seeds", &a->seeds);
  if (a->curve_p.count > 0) put_list(t, "curve_p", &a->curve_p);
  if (a->curve_p.count > 0) put_range(t, "curve_seeds", &a->curve_seeds);
  if (a->over_alpha)
    put(t, "# alpha = %g to %g, %lu values\n", alpha[0], alpha[a->alpha.count - 1], (unsigned long)a->alpha.count);
  else
    put(t, "# h = %lu\n# alpha = %g\n# tol = %g\n# runs end = %s\n", (unsigned long)a->h, alpha[0], a->tol,
        a->until_tstar ? "at t*" : "at zero loss");
  put(t, "# tau = h sqrt(d/2)\n");
}

/* Shows a table, and with --out writes it. head: notes, and the names of the columns. */
static void tabulate(study *s, const char *name, const char *head, void (*rows)(study *)) {
  char *path = s->a->out && s->a->task.count == 0 ? joined(s->a->out, "/", name) : NULL;
  put_parameters(&s->table, s->a);
  put(&s->table, "%s", head);
  show("\n");
  rows(s);
  if (!path) drop(&s->table);
  else if (save(path, &s->table)) show("%s\n", path);
  free(path);
}

static void show_value(size_t n, double value, int width) {
  if (n > 0) show(" %*.4g", width, value);
  else show(" %*s", width, "-");
}

static void end_row(study *s) {
  show("\n");
  put(&s->table, "\n");
}

/* ---- lambda: medians and their exponents */

static size_t column_of(const study *s, double d, double p) {
  size_t column = 0;
  while (s->runs[column].number[D] != d || s->runs[column].number[P] != p) column++;
  return column;
}

static void put_quartiles(study *s, measure m, int width) {
  show_value(m.n, m.median, width);
  if (m.n > 0) put(&s->table, ",%.6g,%.6g,%.6g", m.median, m.low, m.high);
  else put(&s->table, ",,,");
}

static const char medians_head[] =
    "# medians over the seeds, with first and third quartile; seeds: those with a Lambda*, and with a Lambda_max\n"
    "model,d [1],p [points],seeds [runs],lambda_star median [1],lambda_star q1 [1],lambda_star q3 [1],"
    "seeds_max [runs],lambda_max median [1],lambda_max q1 [1],lambda_max q3 [1],"
    "t_star median [tau],t_star q1 [tau],t_star q3 [tau]\n";
static void medians(study *s) {
  const list *d = &s->a->d, *p = &s->a->p;
  size_t id, ip;
  for (id = 0; id < d->count; id++) {
    show("d = %.0f, medians\n%8s %6s %9s %11s %9s\n", d->value[id], "p", "seeds", "Lambda*", "Lambda_max", "t*/tau");
    for (ip = 0; ip < p->count; ip++) {
      size_t column = column_of(s, d->value[id], p->value[ip]);
      measure star = mean_at(s, column, STAR), most = mean_at(s, column, MOST);
      show("%8.0f %6lu", p->value[ip], (unsigned long)star.n);
      put(&s->table, "%s,%.0f,%.0f,%lu", model_of(s->a), d->value[id], p->value[ip], (unsigned long)star.n);
      put_quartiles(s, star, 9);
      put(&s->table, ",%lu", (unsigned long)most.n);
      put_quartiles(s, most, 11);
      put_quartiles(s, mean_at(s, column, TIME), 9);
      end_row(s);
    }
  }
}

/* The exponent of the medians in p. */
typedef struct fit {
  size_t n; /* of values of p; below 2 there is no exponent */
  double exponent, interval[2], slope[LIST_MOST];
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
  double p[LIST_MOST], median[LIST_MOST], *values = numbers(s->a->p.count, seeds);
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

static void put_fit(study *s, double d, int quantity) {
  const char *name = number_names[quantity == STAR ? LAMBDA_STAR : LAMBDA_MAX];
  fit f = fit_medians(s, d, quantity);
  size_t i;
  show("d = %.0f, %s: ", d, name);
  put(&s->table, "%s,%.0f,%s,%g,", model_of(s->a), d, name, predicted);
  if (f.n > 1) {
    show("exponent %.3f, 95 %% interval %.3f to %.3f, ", f.exponent, f.interval[0], f.interval[1]);
    put(&s->table, "%.4f,%.4f,%.4f,", f.exponent, f.interval[0], f.interval[1]);
  } else {
    put(&s->table, ",,,");
  }
  show("predicted %g: %s\n  local slopes", predicted, f.verdict);
  for (i = 0; i + 1 < f.n; i++) {
    show(" %.3f", f.slope[i]);
    put(&s->table, "%s%.3f", i > 0 ? " " : "", f.slope[i]);
  }
  show("; ever nearer: %s", f.approach);
  put(&s->table, ",%s,%s", f.verdict, f.approach);
  end_row(s);
}

static const char exponents_head[] =
    "# exponent: of the medians in p, by least squares of the logarithms; interval: 95 %, from resampled seeds\n"
    "# local slopes: between one p and the next; approach: does their distance to the prediction never grow?\n"
    "# verdict: is the prediction in the interval, and how far outside if not\n"
    "model,d [1],quantity,predicted [1],exponent [1],interval low [1],interval high [1],local slopes [1],verdict,"
    "approach\n";
static void exponents(study *s) {
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
static void put_curve(study *s, size_t column, double latest) {
  const run *r = run_at(s, 0, column);
  bundle b = collect(s, column);
  int linear = s->a->linear;
  double t = 0;
  size_t k;
  for (k = 0; t < b.last && (!linear || k <= 200); k++) {
    t = linear ? 2 * latest * (double)k / 200 : 0.1 * pow(10, (double)k / 25);
    if (t > b.until) break;
    put(&s->table, "%s,%.0f,%.0f,%.6g,%.6g,%lu,", model_of(s->a), r->number[D], r->number[P], t,
        mean_lambda(s, column, b.n, t * tau_of(r)), (unsigned long)b.n);
    if (b.t_star > 0) put(&s->table, "%.6g", b.t_star);
    put(&s->table, "\n");
  }
}

static const char curves_head[] =
    "# the mean over the seeds on a grid of times that all curves share, ln Lambda being linear between steps;\n"
    "# a run at rest keeps its Lambda; where runs end at t*, a curve ends with the first of them\n"
    "model,d [1],p [points],t [tau],lambda mean [1],seeds [runs],t_star mean [tau]\n";
static void curves(study *s) {
  const list *d = &s->a->d, *p = &s->a->curve_p;
  double latest = 0;
  size_t i;
  for (i = 0; i < d->count * p->count; i++)
    latest = fmax(latest, collect(s, column_of(s, d->value[i / p->count], p->value[i % p->count])).t_star);
  for (i = 0; i < d->count * p->count; i++)
    put_curve(s, column_of(s, d->value[i / p->count], p->value[i % p->count]), latest);
}

/* ---- alpha: the means */

static void put_mean(study *s, measure m, int width) {
  show_value(m.n, m.value, width);
  if (m.n == 0) put(&s->table, ",,");
  else if (m.n == 1) put(&s->table, ",%.6g,", m.value);
  else put(&s->table, ",%.6g,%.3g", m.value, m.error);
}

static const char scan_head[] =
    "# means over the seeds, with standard errors; seeds: those that reached zero loss\n"
    "# frozen_error: the test error of the frozen kernel of the start, which is that of alpha -> infinity\n"
    "alpha [1],seeds [runs],test_error mean [1],test_error stderr [1],t_star mean [tau],t_star stderr [tau],"
    "lambda_star mean [1],lambda_star stderr [1],lambda_max mean [1],lambda_max stderr [1],"
    "frozen_error mean [1],frozen_error stderr [1]\n";
static void scan(study *s) {
  const list *alpha = &s->a->alpha;
  size_t ia;
  show("%9s %6s %10s %9s %9s %11s %9s\n", "alpha", "seeds", "test error", "t*/tau", "Lambda*", "Lambda_max", "frozen");
  for (ia = 0; ia < alpha->count; ia++) {
    measure wrong = mean_at(s, ia, ERROR);
    show("%9.3g %6lu", alpha->value[ia], (unsigned long)wrong.n);
    put(&s->table, "%.10g,%lu", alpha->value[ia], (unsigned long)wrong.n);
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
static void state(study *s, const char *what, size_t low, size_t high, measure m, int kind, double expected) {
  double tolerance = kind == NEAR ? fmax(2 * m.error, 0.02) : 2 * m.error, over = m.value - expected;
  int agrees = kind == NEAR ? fabs(over) <= tolerance : over < -tolerance;
  const char *below = kind == BELOW ? "below " : "", *verdict = kind == OPEN ? "-" : agrees ? "yes" : "no";
  char where[64];
  if (isnan(m.value)) return;
  if (low < high) snprintf(where, sizeof where, "%g to %g", s->a->alpha.value[low], s->a->alpha.value[high]);
  else snprintf(where, sizeof where, "%g", s->a->alpha.value[low]);
  show("%s\n  alpha %s: %.7g +- %.2g", what, where, m.value, m.error);
  put(&s->table, "\"%s\",%s,%.9g,%.3g,", what, where, m.value, m.error);
  if (kind != OPEN) {
    show(", predicted %s%.5g: %s", below, expected, verdict);
    put(&s->table, "%s%.6g,%.3g", below, expected, tolerance);
  } else {
    put(&s->table, ",");
  }
  put(&s->table, ",%s", verdict);
  end_row(s);
}

static void plateaus(study *s) {
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

static void lazy_end(study *s) {
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
  double x[LIST_MOST], y[LIST_MOST];
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
    invman_data points = draw(s, run_at(s, is, 0), INVMAN_STREAM_TRAIN, s->a->p.value[0]);
    slope[is] = m.n < feature_count(&s->a->alpha) ? (double)NAN : m.value;
    own[is] = !has_both(&points) ? (double)NAN : 0.5 * time_of_points(&points, fastest);
    invman_data_free(s->ctx, &points);
  }
}

static void feature_end(study *s) {
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
static void verdicts(study *s) {
  plateaus(s);
  lazy_end(s);
  feature_end(s);
}

/* ---- all of it */

static const char *const file_names[2][4] = {{"lambda_vs_p.csv", "lambda_exponents.csv", "lambda_vs_t.csv", NULL},
                                             {"alpha_scan.csv", "alpha_verdict.csv", NULL, NULL}};

/* Plans the runs, and finds those that are known. */
static void begin(study *s) {
  const arguments *a = s->a;
  size_t i;
  plan(s);
  if (a->out) {
    const char *const *name;
    need_folder(a->out);
    for (name = file_names[a->over_alpha]; *name && a->task.count == 0; name++) {
      char *file = joined(a->out, "/", *name);
      check_writable(file);
      free(file);
    }
    s->path = joined(a->out, "/", "runs.jsonl");
  }
  read_journals(&s->file, s->path, &a->task, line_begin, take_run, s);
  for (i = 0; i < s->rows * s->columns; i++) {
    const run *r = &s->runs[i];
    if (r->known) s->found++;
    else if (is_mine(&a->task, i) && is_wanted(r)) s->work += r->number[D] * r->number[P];
  }
  if (s->found < s->total) open_journal(&s->file, 0);
  show("%s: %s, h = %lu; %lu of %lu runs are known\n", modes[a->over_alpha].name, model_of(a), (unsigned long)a->h,
       (unsigned long)s->found, (unsigned long)s->total);
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
  char what[96];
  for (i = 0; i < s->rows * s->columns; i++) {
    const run *r = &s->runs[i];
    int early = !is_kernel(r) && !(r->number[T_STAR] > 0);
    if (!r->known || ((r->ended || r->stopped) && !early)) continue;
    if (unused++ == 0) show("\nnot used, or not for everything\n");
    describe(s, r, what);
    show("%s: %s%s\n", what, r->status, early ? "; t* was not reached" : "");
  }
}

static void free_study(study *s) {
  size_t i;
  for (i = 0; i < s->rows * s->columns; i++) free(s->runs[i].curve);
  free(s->runs);
  free(s->values);
  free(s->path);
}

int main(int argc, char **argv) {
  invman_context ctx = {0};
  study s = {0};
  asked.over_alpha = start(argc, argv, &description) == OVER_ALPHA;
  complete(&asked);
  ctx.error = &error;
  ctx.progress = progress;
  s.ctx = &ctx;
  s.a = &asked;

  begin(&s);
  begin_work();
  work_all(&s);
  tabulate_all(&s);
  show_unused(&s);
  if (interrupted) show("\nstopped: %lu of %lu runs are known\n", (unsigned long)s.found, (unsigned long)s.total);
  close_journal(&s.file);
  free_study(&s);
  return finish(0);
}
