/* Learning curves: test error against the number of training points, of networks that learn features and of frozen
   kernels, with the exponents beside the paper's predictions. Results go to a file as they come; a rerun goes on.

   cc -O2 -fopenmp examples/learning_curve.c -o learning_curve -lm
   ./learning_curve --help */
#define INVMAN_IMPLEMENTATION
#include "points.h"

enum { FEATURE, LAZY, COMPRESSED, NTK_END, METHODS };
static const char *const method_names[METHODS] = {"feature", "lazy", "lazy-compressed", "ntk-end"};

typedef struct arguments {
  const char *out, *csv;
  size_t d, d_par, h, lazy_h, test_size; /* lazy_h 0: infinite */
  list p;
  range seeds;
  double alpha, tol;
  task task;
  int kind, wanted[METHODS]; /* kind: INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

static void read_methods(const option *o, const char *word) {
  char value[32];
  memset(asked.wanted, 0, sizeof asked.wanted);
  while (word) {
    int i = 0;
    word = next_value(o, word, ',', value);
    while (i < METHODS && strcmp(value, method_names[i])) i++;
    if (i == METHODS) fail("%s: '%s' is none of feature, lazy, lazy-compressed, ntk-end", o->flag, value);
    asked.wanted[i] = 1;
  }
}

static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.kind, 0, 0, "stripe", "where the labels change", 0},
    POINT_OPTIONS("--points"), /* --csv is the table of the curves */
    {"--d", "N", read_whole, &asked.d, 1, 0, NULL, "inputs (stripe 5, cylinder 3)", 0},
    {"--p", "N,N,...", read_increasing, &asked.p, 1, 0, "64,128,256,512", "numbers of training points", 0},
    {"--seeds", "A:B", read_range, &asked.seeds, 0, 100000, "1:5", "of points and weights, A to B", 0},
    {"--methods", "M,...", read_methods, &asked, 0, 0, "feature,lazy",
     "of these: feature, the network, trained; lazy, the frozen kernel of the start; lazy-compressed, the same on "
     "points "
     "compressed as much as the network did, x_perp / Lambda*; ntk-end, the frozen kernel of the network's end, on as "
     "many fresh points",
     0},
    {"--h", "N", read_whole, &asked.h, 1, 0, "1000", "neurons of the network", 0},
    {"--lazy-h", "N", read_whole, &asked.lazy_h, 1, 0, NULL, "neurons of the lazy kernel (infinitely many)", 0},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "1e-6", "scale of the network's predictor", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, NULL,
     "test points (models 10000; files: all that are left)", 0},
    {"--out", "FILE", read_output, &asked.out, 0, 0, NULL,
     "a line of JSON per result; what is there already is not computed again", 0},
    {"--task", "I/N", read_task, &asked.task, 0, 0, NULL,
     "only the I-th of N parts of the work, to FILE.I-of-N; what all parts found is read", 0},
    {"--csv", "FILE", read_output, &asked.csv, 0, 0, NULL,
     "the curves: medians, quartiles, local slopes, exponents with their intervals", 0},
};

static const program description = {
    "learning_curve",
    "test error against the number of training points, and its exponent",
    NULL,
    "  learning_curve --p 64,128,256,512,1024 --seeds 1:10 --out stripe.jsonl\n"
    "  learning_curve --model cylinder --methods feature,lazy,lazy-compressed,ntk-end\n"
    "\n"
    "Training sets are nested: a seed's first points are the same for every p. In FILE null stands for what has no "
    "part "
    "in a result (h, alpha and tol where no network is trained), and for the lazy_h of infinitely many neurons. Lines "
    "of "
    "other settings stay as they are; the torn last line of a run that was killed is removed. Ctrl-C ends a run early: "
    "what is known is in FILE, and shown. A kernel takes 8 p^2 bytes, that of infinite width beyond p = 8192 much "
    "less.\n"
    "\n"
    "Exit status: 0 every run ended; 1 some ended above zero loss; 2 bad input, or a file cannot be written; 3 "
    "interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

static void complete(arguments *a) {
  check_point_options("--points");
  if (a->task.count > 0 && !a->out) fail("--task: --out says where");
  if (a->task.count > 0 && a->csv) fail("--csv: the curves are those of all tasks: write them without --task");
  if (own_points() && a->d) fail("--d: the file sets the number of inputs");
  if (own_points() && a->wanted[COMPRESSED])
    fail("--methods: lazy-compressed: only a model says which inputs are informative");
  if (own_points()) return;
  if (a->test_size == 0) a->test_size = 10000;
  a->d_par = a->kind == INVMAN_CYLINDER ? 2 : 1;
  if (a->d == 0) a->d = a->kind == INVMAN_CYLINDER ? 3 : 5;
  if (a->d < a->d_par) fail("--d must be at least %lu", (unsigned long)a->d_par);
  if (a->d == a->d_par && a->wanted[COMPRESSED])
    fail("--methods: lazy-compressed: of %lu inputs all are informative", (unsigned long)a->d);
}

static const char *model_of(const arguments *a) {
  if (own_points()) return points_about();
  return a->kind == INVMAN_CYLINDER ? "cylinder" : "stripe";
}

/* ---- results, and the file of them */

typedef struct result {
  int known, done;           /* done: the run ended at zero loss, its error counts */
  double test_error, lambda; /* the share of test points with y F <= 0, Lambda*; below 0: there is none */
  char status[160];
} result;

/* What a result depends on; 0 for what has no part in it. */
typedef struct setting {
  const char *model, *method;
  size_t d, h, lazy_h, test_size, p, seed;
  double alpha, tol;
} setting;

typedef struct study {
  const invman_context *ctx;
  const arguments *a;
  journal file;
  point_set own;   /* of a file */
  char hash[20];   /* of those points */
  char *advice;    /* on them */
  result *results; /* (p, seeds, methods) */
  size_t total, found;
  double work, worked; /* of what was not known at the start, a result counting p */
} study;

static result *result_of(const study *s, size_t ip, size_t is, int method) {
  return &s->results[(ip * s->a->seeds.count + is) * METHODS + (size_t)method];
}

static setting setting_of(const arguments *a, size_t ip, size_t is, int method) {
  setting k;
  memset(&k, 0, sizeof k);
  k.model = model_of(a);
  k.method = method_names[method];
  k.d = a->d;
  k.test_size = a->test_size;
  k.p = (size_t)a->p.value[ip];
  k.seed = a->seeds.first + is;
  if (method == LAZY || method == COMPRESSED) k.lazy_h = a->lazy_h;
  if (method != LAZY) {
    k.h = a->h;
    k.alpha = a->alpha;
    k.tol = a->tol;
  }
  return k;
}

/* What else a result depends on, where points or labels are not a model's. */
static void put_source(text *t, const char *hash) {
  if (own_points()) put(t, ", \"points\": \"%s\", \"standardise\": %s", hash, source.standardise ? "true" : "false");
  if (source.flip > 0) put_field(t, "flip", source.flip, 6);
}

static int is_source(const char *line, const char *hash) {
  double flip = 0;
  const char *standardise = field(line, "standardise");
  field_number(line, "flip", 0, &flip);
  if (flip != source.flip) return 0;
  if (!own_points()) return 1;
  return field_is(line, "points", hash) && standardise && (*standardise == 't') == (source.standardise != 0);
}

static int field_equals(const char *line, const char *name, double wanted) {
  double value;
  return field_number(line, name, 0, &value) && value == wanted;
}

/* Where the line's result belongs among those of a method; -1: it is none of them. */
static int place(const arguments *a, const char *line, int method, size_t *ip, size_t *is) {
  setting k;
  double p, seed;
  if (!field_is(line, "method", method_names[method])) return 0;
  if (!field_number(line, "p", 0, &p) || !field_number(line, "seed", 0, &seed)) return 0;
  for (*ip = 0; *ip < a->p.count && a->p.value[*ip] != p; ++*ip) continue;
  for (*is = 0; *is < a->seeds.count && (double)(a->seeds.first + *is) != seed; ++*is) continue;
  if (*ip == a->p.count || *is == a->seeds.count) return 0;
  k = setting_of(a, *ip, *is, method);
  return field_is(line, "model", k.model) && field_equals(line, "d", (double)k.d) &&
         field_equals(line, "h", (double)k.h) && field_equals(line, "alpha", k.alpha) &&
         field_equals(line, "tol", k.tol) && field_equals(line, "lazy_h", (double)k.lazy_h) &&
         field_equals(line, "test_size", (double)k.test_size);
}

/* Takes over a line of the file, where it is a result of this study that is not known yet. */
static void take_result(const char *line, void *user) {
  study *s = (study *)user;
  int method;
  for (method = 0; method < METHODS; method++) {
    size_t ip, is, length;
    result r, *known;
    const char *status = field(line, "status");
    memset(&r, 0, sizeof r);
    if (!place(s->a, line, method, &ip, &is) || !is_source(line, s->hash) || !status || *status != '"') continue;
    if (!field_number(line, "test_error", -1, &r.test_error) || !field_number(line, "lambda_star", -1, &r.lambda))
      continue;
    length = strcspn(++status, "\"");
    if (length >= sizeof r.status) length = sizeof r.status - 1;
    memcpy(r.status, status, length);
    r.done = r.test_error >= 0 && !strcmp(r.status, invman_status_string(INVMAN_OK));
    r.known = 1;
    known = result_of(s, ip, is, method);
    if (!known->known) *known = r;
  }
}

static const char line_begin[] = "{\"model\": \"";

/* Now it is known, and in the file. */
static void record(study *s, size_t ip, size_t is, int method, const result *r) {
  setting k = setting_of(s->a, ip, is, method);
  text line = {NULL, 0, 0};
  *result_of(s, ip, is, method) = *r;
  s->found++;
  put(&line, "%s%s\"", line_begin, k.model);
  put_source(&line, s->hash);
  put(&line, ", \"d\": %lu", (unsigned long)k.d);
  put_field(&line, "h", k.h > 0 ? (double)k.h : unknown, 15);
  put_field(&line, "alpha", k.alpha > 0 ? k.alpha : unknown, 15);
  put_field(&line, "tol", k.tol > 0 ? k.tol : unknown, 15);
  put_field(&line, "lazy_h", k.lazy_h > 0 ? (double)k.lazy_h : unknown, 15);
  put(&line, ", \"test_size\": %lu, \"p\": %lu, \"seed\": %lu, \"method\": \"%s\"", (unsigned long)k.test_size,
      (unsigned long)k.p, (unsigned long)k.seed, k.method);
  put_field(&line, "test_error", r->test_error >= 0 ? r->test_error : unknown, 15);
  put_field(&line, "lambda_star", r->lambda >= 0 ? r->lambda : unknown, 15);
  put(&line, ", \"status\": \"%s\"}\n", r->status);
  append(&s->file, &line);
}

static void begin(study *s, size_t ip, size_t is, int method) {
  double p = s->a->p.value[ip];
  begin_stage(s->worked / s->work, p / s->work, "%lu of %lu known; p = %.0f, seed %lu, %s", (unsigned long)s->found,
              (unsigned long)s->total, p, (unsigned long)(s->a->seeds.first + is), method_names[method]);
  progress("", 0, NULL);
}

/* ---- learning */

enum { STORED_MAX = 8192 }; /* points whose kernel is kept whole */

/* Of a file, in the order that the seed gives: training points first, then those of ntk-end; test points last, so that
   they are the same for all p. All are standardised by the first p points. */
static invman_data draw_own(const study *s, size_t n, size_t p, size_t is, uint64_t stream) {
  size_t most = (size_t)s->a->p.value[s->a->p.count - 1], first = 0;
  point_set own = s->own;
  invman_data view, out;
  own.all = copy_points(&s->own.all);
  own.test = copy_points(&s->own.test);
  shuffle_points(&own, s->a->seeds.first + is);
  view = part(&own.all, &first, p, "--p", points_path());
  standardise_points(&own, &view);
  first = stream == INVMAN_STREAM_TRAIN ? 0 : stream == INVMAN_STREAM_KERNEL ? most : own.all.n - n;
  if (stream == INVMAN_STREAM_TEST && source.test_csv) {
    first = 0;
    view = part(&own.test, &first, n, "--test-size", source.test_csv);
  } else {
    view = part(&own.all, &first, n, "--p", points_path());
  }
  out = copy_points(&view);
  drop_points(&own.all);
  drop_points(&own.test);
  return out;
}

/* n points for p training points; x_perp is divided by `compression`. */
static invman_data draw(const study *s, size_t n, size_t p, size_t is, uint64_t stream, double compression) {
  invman_data_model model;
  invman_data points;
  memset(&model, 0, sizeof model);
  model.kind = s->a->kind;
  model.d = s->a->d;
  model.compression = compression;
  if (own_points()) points = draw_own(s, n, p, is, stream);
  else points = sample(s->ctx, &model, n, s->a->seeds.first + is, stream, "points");
  if (stream != INVMAN_STREAM_TEST) flip_labels(&points, s->a->seeds.first + is, stream);
  return points;
}

static void free_drawn(const study *s, invman_data *points) {
  if (own_points()) drop_points(points);
  else invman_data_free(s->ctx, points);
}

static void set_status(result *r, const char *prefix, invman_status status) {
  snprintf(r->status, sizeof r->status, "%s%s", prefix, invman_status_string(status));
  r->done = status == INVMAN_OK && r->test_error >= 0;
  r->known = status != INVMAN_STOPPED || !interrupted;
}

static void set_failed(result *r, const char *why) {
  r->test_error = r->lambda = -1;
  snprintf(r->status, sizeof r->status, "%s", why);
  r->done = 0;
  r->known = 1;
}

/* The network, trained; `net` is made, to be freed. */
static void train(study *s, size_t is, const invman_data *points, const invman_data *test, invman_net *net, result *r) {
  const invman_flow_info *info;
  invman_flow_options o;
  invman_flow *flow;
  memset(&o, 0, sizeof o);
  o.alpha = s->a->alpha;
  o.rotation_tol = o.margin_tol = s->a->tol;
  o.d_par = s->a->d_par;
  *net = new_net(s->ctx, s->a->h, points->d, s->a->seeds.first + is);
  check(invman_flow_create(s->ctx, net, points, &o, &flow), "training");
  check(invman_flow_run(flow), "training");
  info = invman_flow_get_info(flow);
  r->test_error = flow_error(flow, test);
  r->lambda = info->t_star > 0 && s->a->d_par > 0 && points->d > s->a->d_par ? info->lambda_star : -1;
  set_status(r, "", info->status);
  invman_flow_free(flow);
}

/* A kernel on its points: the network's, or that of infinite width where net is NULL. */
typedef struct kernel {
  const study *s;
  const invman_net *net;
  const invman_data *points;
} kernel;

static void column(size_t j, double *out, void *arg) {
  const kernel *k = (const kernel *)arg;
  const invman_data *points = k->points;
  gram(k->s->ctx, k->net, INVMAN_NTK_ALL, points->d, points->x, points->n, points->x + j * points->d, 1, out);
}

static void learn(study *s, const invman_net *net, const invman_data *points, const invman_data *test, result *r) {
  size_t n = points->n;
  double *a = numbers(n, 1), *F = numbers(test->n, 1), *K = NULL;
  invman_lazy_info info;
  kernel k;
  k.s = s;
  k.net = net;
  k.points = points;
  if (!net && n > STORED_MAX) {
    check(invman_lazy_train_columns(s->ctx, column, &k, points->y, n, NULL, a, &info), "kernel");
  } else {
    K = numbers(n, n);
    gram(s->ctx, net, INVMAN_NTK_ALL, points->d, points->x, n, NULL, 0, K);
    check(invman_lazy_train(s->ctx, K, points->y, n, NULL, a, &info), "kernel");
    free(K);
  }
  kernel_predict(s->ctx, net, INVMAN_NTK_ALL, points, a, test, F);
  r->test_error = interrupted ? -1 : share_of_errors(F, test);
  set_status(r, "", interrupted ? INVMAN_STOPPED : info.status);
  free(a);
  free(F);
}

/* The start's kernel; compressed: x_perp / compression. */
static void learn_lazy(study *s, size_t ip, size_t is, double compression, result *r) {
  size_t p = (size_t)s->a->p.value[ip];
  invman_data points = draw(s, p, p, is, INVMAN_STREAM_TRAIN, compression);
  invman_data test = draw(s, s->a->test_size, p, is, INVMAN_STREAM_TEST, compression);
  invman_net net;
  memset(&net, 0, sizeof net);
  if (s->a->lazy_h > 0) net = new_net(s->ctx, s->a->lazy_h, s->a->d, s->a->seeds.first + is);
  learn(s, s->a->lazy_h > 0 ? &net : NULL, &points, &test, r);
  invman_net_free(s->ctx, &net);
  free_drawn(s, &points);
  free_drawn(s, &test);
}

/* The trained network's kernel, on fresh points. */
static void learn_end(study *s, size_t ip, size_t is, const invman_net *net, const invman_data *test, result *r) {
  size_t p = (size_t)s->a->p.value[ip];
  invman_data points = draw(s, p, p, is, INVMAN_STREAM_KERNEL, 1);
  learn(s, net, &points, test, r);
  free_drawn(s, &points);
}

/* One result of a method that may need what the network came to. r->known remains 0 where it was interrupted. */
static void find(study *s, size_t ip, size_t is, int method, const result *feature, const invman_net *net,
                 const invman_data *test, result *r) {
  begin(s, ip, is, method);
  memset(r, 0, sizeof *r);
  r->test_error = r->lambda = -1;
  if (method == FEATURE) *r = *feature;
  else if (method == LAZY) learn_lazy(s, ip, is, 1, r);
  else if (method == COMPRESSED && feature->lambda < 0) set_failed(r, "the network did not reach t*");
  else if (method == COMPRESSED) learn_lazy(s, ip, is, r->lambda = feature->lambda, r);
  else learn_end(s, ip, is, net, test, r);
  if (method > LAZY && r->done && !feature->done) {
    snprintf(r->status, sizeof r->status, "the network: %.140s", feature->status);
    r->done = 0;
  }
}

/* All that is wanted and not known for these points: the network is trained once, if at all. */
static void run(study *s, size_t ip, size_t is) {
  int missing[METHODS], method, network;
  result feature = *result_of(s, ip, is, FEATURE);
  size_t p = (size_t)s->a->p.value[ip];
  invman_data points = draw(s, p, p, is, INVMAN_STREAM_TRAIN, 1);
  invman_data test = draw(s, s->a->test_size, p, is, INVMAN_STREAM_TEST, 1);
  invman_net net;
  memset(&net, 0, sizeof net);
  for (method = 0; method < METHODS; method++)
    missing[method] = s->a->wanted[method] && !result_of(s, ip, is, method)->known;
  network = missing[FEATURE] || missing[NTK_END] || (missing[COMPRESSED] && !feature.known);
  if (network && has_both(&points)) {
    begin(s, ip, is, FEATURE);
    train(s, is, &points, &test, &net, &feature);
  }
  for (method = 0; method < METHODS; method++) {
    result r;
    if (!missing[method] || (interrupted && method != FEATURE)) continue;
    if (!has_both(&points)) set_failed(&r, "all labels are equal");
    else find(s, ip, is, method, &feature, &net, &test, &r);
    if (r.known) record(s, ip, is, method, &r);
    s->worked += s->a->p.value[ip];
  }
  invman_net_free(s->ctx, &net);
  free_drawn(s, &points);
  free_drawn(s, &test);
}

static size_t count_known(const study *s) {
  size_t ip, is, known = 0;
  int method;
  for (ip = 0; ip < s->a->p.count; ip++)
    for (is = 0; is < s->a->seeds.count; is++)
      for (method = 0; method < METHODS; method++) known += s->a->wanted[method] && result_of(s, ip, is, method)->known;
  return known;
}

static int lacks_results(const study *s, size_t ip, size_t is) {
  int method, missing = 0;
  for (method = 0; method < METHODS; method++) missing |= s->a->wanted[method] && !result_of(s, ip, is, method)->known;
  return missing;
}

static void run_all(study *s) {
  size_t ip, is;
  for (ip = 0; ip < s->a->p.count; ip++)
    for (is = 0; is < s->a->seeds.count && !interrupted; is++)
      if (is_mine(&s->a->task, ip * s->a->seeds.count + is) && lacks_results(s, ip, is)) run(s, ip, is);
}

/* ---- what comes out */

/* A method's curve: test errors of the runs that are done, their quartiles, and the exponent of the medians. */
typedef struct curve {
  size_t n; /* p with at least one run */
  size_t p[LIST_MOST], runs[LIST_MOST];
  double low[LIST_MOST], median[LIST_MOST], high[LIST_MOST], slope[LIST_MOST]; /* slope: to the next p */
  int fitted;
  double exponent, interval[2], predicted; /* error ~ p^-exponent */
} curve;

/* The exponent, with its 95 % bootstrap interval over the seeds. */
static void fit(const study *s, curve *c, const double *errors) {
  double p[LIST_MOST];
  size_t k;
  invman_rng rng;
  for (k = 0; k < c->n; k++) {
    p[k] = (double)c->p[k];
    if (!(c->median[k] > 0)) return; /* no power law has an error of 0 */
  }
  if (c->n < 2) return;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_KERNEL);
  check(invman_median_power_law(s->ctx, p, errors, c->n, s->a->seeds.count, 2000, &rng, &c->exponent, c->interval),
        "exponent");
  c->fitted = 1;
}

static curve curve_of(const study *s, int method) {
  size_t seeds = s->a->seeds.count, ip, is, k;
  double *errors = numbers(s->a->p.count, seeds), *row = numbers(seeds, 1);
  curve c;
  memset(&c, 0, sizeof c);
  c.predicted = own_points()     ? unknown
                : method == LAZY ? invman_beta_lazy(s->a->d)
                                 : invman_beta_feature(s->a->d, s->a->d_par);
  for (ip = 0; ip < s->a->p.count; ip++) {
    size_t n = 0;
    for (is = 0; is < seeds; is++) {
      const result *r = result_of(s, ip, is, method);
      errors[c.n * seeds + is] = r->done ? r->test_error : (double)NAN;
      if (r->done) row[n++] = r->test_error;
    }
    if (n == 0) continue;
    qsort(row, n, sizeof *row, smaller_first);
    c.p[c.n] = (size_t)s->a->p.value[ip];
    c.runs[c.n] = n;
    c.low[c.n] = quantile(row, n, 0.25);
    c.median[c.n] = quantile(row, n, 0.5);
    c.high[c.n++] = quantile(row, n, 0.75);
  }
  for (k = 0; k + 1 < c.n; k++)
    c.slope[k] = log(c.median[k] / c.median[k + 1]) / log((double)c.p[k + 1] / (double)c.p[k]);
  fit(s, &c, errors);
  free(errors);
  free(row);
  return c;
}

static void show_curve(const study *s, int method) {
  curve c = curve_of(s, method);
  size_t ip, k = 0;
  show("\n%s\n%8s %6s %10s %8s\n", method_names[method], "p", "seeds", "median", "slope");
  for (ip = 0; ip < s->a->p.count; ip++) {
    if (k == c.n || (double)c.p[k] != s->a->p.value[ip]) {
      show("%8lu %6d %10s\n", (unsigned long)s->a->p.value[ip], 0, "-");
      continue;
    }
    show("%8lu %6lu %10.5f", (unsigned long)c.p[k], (unsigned long)c.runs[k], c.median[k]);
    if (k + 1 < c.n && c.median[k] > 0 && c.median[k + 1] > 0) show(" %8.3f", c.slope[k]);
    show("\n");
    k++;
  }
  if (c.fitted)
    show("exponent %.3f, 95 %% interval %.3f to %.3f", 0 - c.exponent, 0 - c.interval[1], 0 - c.interval[0]);
  else show("exponent -");
  if (known(c.predicted)) show(", predicted %.3f", c.predicted);
  show("\n");
}

static void put_parameters(text *t, const arguments *a) {
  put(t, "# model %s, d %lu, h %lu, lazy_h ", model_of(a), (unsigned long)a->d, (unsigned long)a->h);
  if (a->lazy_h) put(t, "%lu", (unsigned long)a->lazy_h);
  else put(t, "infinite");
  put(t, ", alpha %g, tol %g, %lu test points, seeds %lu to %lu\n", a->alpha, a->tol, (unsigned long)a->test_size,
      (unsigned long)a->seeds.first, (unsigned long)(a->seeds.first + a->seeds.count - 1));
  if (own_points()) put(t, "# %s%s\n", points_path(), source.standardise ? ", standardised" : "");
  if (source.flip > 0) put(t, "# flip %g\n", source.flip);
}

static void put_exponent(text *t, const arguments *a, int method, const curve *c) {
  put(t, "# exponent %s %s d=%lu: ", method_names[method], model_of(a), (unsigned long)a->d);
  if (known(c->predicted)) put(t, "predicted %.4f, ", c->predicted);
  put(t, "measured %.4f, interval %.4f to %.4f\n", 0 - c->exponent, 0 - c->interval[1], 0 - c->interval[0]);
}

/* The curves, and below them, as comments, the exponents. */
static void write_csv(const study *s, const char *path) {
  const char *model = model_of(s->a);
  text t = {NULL, 0, 0};
  size_t k;
  int method;
  put_parameters(&t, s->a);
  put(&t, "model,d,method,p,seeds,error_median,error_q1,error_q3\n");
  for (method = 0; method < METHODS; method++) {
    curve c = curve_of(s, method);
    if (!s->a->wanted[method]) continue;
    for (k = 0; k < c.n; k++)
      put(&t, "%s,%lu,%s,%lu,%lu,%.6g,%.6g,%.6g\n", model, (unsigned long)s->a->d, method_names[method],
          (unsigned long)c.p[k], (unsigned long)c.runs[k], c.median[k], c.low[k], c.high[k]);
    if (c.fitted) put_exponent(&t, s->a, method, &c);
  }
  save(path, &t);
}

/* The runs that do not count, and why. Returns how many. */
static size_t show_unused(const study *s) {
  size_t ip, is, unused = 0;
  int method;
  for (method = 0; method < METHODS; method++)
    for (ip = 0; ip < s->a->p.count; ip++)
      for (is = 0; is < s->a->seeds.count; is++) {
        const result *r = result_of(s, ip, is, method);
        if (!s->a->wanted[method] || !r->known || r->done) continue;
        if (unused++ == 0) show("\nnot used\n");
        show("%s, p = %lu, seed %lu: %s\n", method_names[method], (unsigned long)s->a->p.value[ip],
             (unsigned long)(s->a->seeds.first + is), r->status);
      }
  return unused;
}

/* Where the points are a file's: whether there are enough of them. */
static void read_own(study *s, arguments *a) {
  size_t most = (size_t)a->p.value[a->p.count - 1], used = a->wanted[NTK_END] ? 2 * most : most, all;
  if (!own_points()) return;
  read_points(s->ctx, &s->own);
  a->d = s->own.all.d;
  all = source.test_csv ? s->own.test.n : s->own.all.n;
  if (used > s->own.all.n)
    fail("%s: --p %lu%s, but only %lu points", points_path(), (unsigned long)most,
         used > most ? ", and as many again for ntk-end" : "", (unsigned long)s->own.all.n);
  if (!source.test_csv) all -= used;
  if (all == 0)
    fail("%s: of %lu points all learn, and none is left for tests: --p must be smaller", points_path(),
         (unsigned long)s->own.all.n);
  if (a->test_size > all)
    fail("--test-size %lu, but only %lu points are left for tests", (unsigned long)a->test_size, (unsigned long)all);
  if (a->test_size == 0) a->test_size = all;
  s->advice = advice(&s->own);
  snprintf(s->hash, sizeof s->hash, "%08lx%08lx", (unsigned long)(points_hash(&s->own) >> 32),
           (unsigned long)(points_hash(&s->own) & 0xffffffffu));
}

/* Finds what is known already, and what is left to do. */
static void prepare(study *s) {
  size_t ip, is;
  int method;
  s->results = (result *)zeros(s->a->p.count * s->a->seeds.count, METHODS, sizeof(result));
  for (method = 0; method < METHODS; method++) s->total += s->a->wanted[method] ? s->a->p.count * s->a->seeds.count : 0;
  read_journals(&s->file, s->a->out, &s->a->task, line_begin, take_result, s);
  s->found = count_known(s);
  for (ip = 0; ip < s->a->p.count; ip++)
    for (is = 0; is < s->a->seeds.count; is++)
      for (method = 0; method < METHODS; method++)
        if (is_mine(&s->a->task, ip * s->a->seeds.count + is) && s->a->wanted[method] &&
            !result_of(s, ip, is, method)->known)
          s->work += s->a->p.value[ip];
  if (s->found < s->total) open_journal(&s->file, 0);
}

int main(int argc, char **argv) {
  invman_context ctx;
  study s;
  int method;
  size_t unused;
  start(argc, argv, &description);
  complete(&asked);
  memset(&ctx, 0, sizeof ctx);
  memset(&s, 0, sizeof s);
  ctx.error = &error;
  ctx.progress = progress;
  s.ctx = &ctx;
  s.a = &asked;
  read_own(&s, &asked);
  prepare(&s);
  advise(s.advice);

  show("%s, d = %lu, h = %lu, alpha = %g; %lu of %lu results are known\n", model_of(&asked), (unsigned long)asked.d,
       (unsigned long)asked.h, asked.alpha, (unsigned long)s.found, (unsigned long)s.total);
  begin_work();
  run_all(&s);
  for (method = 0; method < METHODS; method++)
    if (asked.wanted[method]) show_curve(&s, method);
  unused = show_unused(&s);
  if (interrupted) show("\nstopped: %lu of %lu results are known\n", (unsigned long)s.found, (unsigned long)s.total);
  if (asked.csv) write_csv(&s, asked.csv);
  close_journal(&s.file);
  free(s.results);
  if (own_points()) free_points(&ctx, &s.own);
  return finish(unused > 0);
}
