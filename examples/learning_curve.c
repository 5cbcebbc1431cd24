/* Learning curves: test error against the number of training points, of networks that learn features and of frozen
   kernels, with the exponents beside the paper's predictions. Results go to a file as they come; a rerun goes on.

   cc -O3 -fopenmp -I.. learning_curve.c -o learning_curve -lm
   ./learning_curve --help */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, ftruncate, isatty */
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
#include <io.h>
#define isatty    _isatty
#define fileno    _fileno
#define ftruncate _chsize
#else
#include <unistd.h>
#endif

static const char help[] =
    "learning_curve - test error against the number of training points, and its exponent\n"
    "\n"
    "  learning_curve [options]\n"
    "\n"
    "  --model M        stripe or cylinder (stripe)\n"
    "  --d N            inputs (stripe 5, cylinder 3)\n"
    "  --p N,N,...      numbers of training points, increasing (64,128,256,512)\n"
    "  --seeds A:B      of points and weights, A to B (1:5)\n"
    "  --methods M,...  of these (feature,lazy):\n"
    "                   feature          the network, trained\n"
    "                   lazy             the frozen kernel of the start\n"
    "                   lazy-compressed  the same, on points compressed as much as the network did: x_perp / Lambda*\n"
    "                   ntk-end          the frozen kernel of the network's end, on as many fresh points\n"
    "  --h N            neurons of the network (1000)\n"
    "  --lazy-h N       neurons of the lazy kernel (infinitely many)\n"
    "  --alpha A        scale of the network's predictor (1e-6)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --test-size N    test points (10000)\n"
    "  --out FILE       a line of JSON per result; what is there already is not computed again\n"
    "  --csv FILE       the curves: medians, quartiles, local slopes, exponents with their intervals\n"
    "  --help, --version\n"
    "\n"
    "  learning_curve --p 64,128,256,512,1024 --seeds 1:10 --out stripe.jsonl\n"
    "  learning_curve --model cylinder --methods feature,lazy,lazy-compressed,ntk-end\n"
    "\n"
    "Training sets are nested: a seed's first points are the same for every p. In FILE null stands for what has no "
    "part\n"
    "in a result (h, alpha and tol where no network is trained), and for the lazy_h of infinitely many neurons. Lines\n"
    "of other settings stay as they are; the torn last line of a run that was killed is removed. Ctrl-C ends a run\n"
    "early: what is known is in FILE, and shown. A kernel takes 8 p^2 bytes, that of infinite width beyond p = 8192\n"
    "much less.\n"
    "\n"
    "Exit status: 0 every run ended, or Ctrl-C ended it; 1 some ended above zero loss; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("learning_curve: ", stderr);
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

/* ---- the command line */

enum { FEATURE, LAZY, COMPRESSED, NTK_END, METHODS };
static const char *const method_names[METHODS] = {"feature", "lazy", "lazy-compressed", "ntk-end"};

enum { P_MAX = 64, SEEDS_MAX = 100000 };

typedef struct arguments {
  const char *model, *out, *csv;
  size_t d, d_par, h, lazy_h, test_size; /* lazy_h 0: infinite */
  size_t p[P_MAX], p_count, first_seed, seed_count;
  double alpha, tol;
  int kind, wanted[METHODS];
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

/* The next of several values: what stands before `separator`, or the rest. Returns where the one after it begins, NULL
   after the last one. */
static const char *next_value(const char *flag, const char *list, char separator, char value[32]) {
  const char *end = strchr(list, separator);
  size_t length = end ? (size_t)(end - list) : strlen(list);
  if (length >= 32) fail("%s: '%s' is too long", flag, list);
  memcpy(value, list, length);
  value[length] = 0;
  return end ? end + 1 : NULL;
}

static void parse_p(const char *flag, const char *list, arguments *a) {
  char value[32];
  for (a->p_count = 0; list; a->p_count++) {
    if (a->p_count == P_MAX) fail("%s: more than %d values", flag, (int)P_MAX);
    list = next_value(flag, list, ',', value);
    a->p[a->p_count] = whole_number(flag, value, 1);
    if (a->p_count > 0 && a->p[a->p_count] <= a->p[a->p_count - 1]) fail("%s: the values must increase", flag);
  }
}

static void parse_seeds(const char *flag, const char *text, arguments *a) {
  char value[32];
  size_t last;
  text = next_value(flag, text, ':', value);
  last = a->first_seed = whole_number(flag, value, 0);
  if (text) last = whole_number(flag, text, 0);
  if (last < a->first_seed) fail("%s: the last is smaller than the first", flag);
  if (last - a->first_seed >= SEEDS_MAX) fail("%s: more than %d", flag, (int)SEEDS_MAX);
  if ((double)last > 9e15) fail("%s must be at most 9e15", flag); /* what a double tells from its neighbours */
  a->seed_count = last - a->first_seed + 1;
}

static void parse_methods(const char *flag, const char *list, arguments *a) {
  char value[32];
  int i;
  memset(a->wanted, 0, sizeof a->wanted);
  while (list) {
    list = next_value(flag, list, ',', value);
    for (i = 0; i < METHODS && strcmp(value, method_names[i]); i++) continue;
    if (i == METHODS) fail("%s: '%s' is none of feature, lazy, lazy-compressed, ntk-end", flag, value);
    a->wanted[i] = 1;
  }
}

static void set_defaults(arguments *a) {
  memset(a, 0, sizeof *a);
  a->model = "stripe";
  a->h = 1000;
  a->alpha = 1e-6;
  a->tol = 0.1;
  a->test_size = 10000;
  parse_p("--p", "64,128,256,512", a);
  parse_seeds("--seeds", "1:5", a);
  parse_methods("--methods", "feature,lazy", a);
}

static void set_model(arguments *a) {
  if (!strcmp(a->model, "cylinder")) a->kind = INVMAN_CYLINDER;
  else if (!strcmp(a->model, "stripe")) a->kind = INVMAN_STRIPE;
  else fail("--model: '%s' is neither stripe nor cylinder", a->model);
  a->d_par = a->kind == INVMAN_CYLINDER ? 2 : 1;
  if (a->d == 0) a->d = a->kind == INVMAN_CYLINDER ? 3 : 5;
  if (a->d < a->d_par) fail("--d must be at least %lu", (unsigned long)a->d_par);
  if (a->d == a->d_par && a->wanted[COMPRESSED])
    fail("--methods: lazy-compressed: of %lu inputs all are informative", (unsigned long)a->d);
}

static void parse(int argc, char **argv, arguments *a) {
  int i;
  set_defaults(a);
  for (i = 1; i < argc; i++) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("learning_curve, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    i++;
    if (!strcmp(flag, "--model")) a->model = value;
    else if (!strcmp(flag, "--out")) a->out = value;
    else if (!strcmp(flag, "--p")) parse_p(flag, value, a);
    else if (!strcmp(flag, "--seeds")) parse_seeds(flag, value, a);
    else if (!strcmp(flag, "--methods")) parse_methods(flag, value, a);
    else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--csv")) a->csv = value;
    else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--lazy-h")) a->lazy_h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
    else if (!strcmp(flag, "--tol")) {
      a->tol = positive_number(flag, value);
      if (a->tol > 1) fail("--tol must be at most 1");
    } else fail("%s: unknown option; see --help", flag);
  }
  set_model(a);
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
  FILE *file;      /* NULL: none */
  long torn;       /* where its last line begins, if that is torn; else -1 */
  int open_ended;  /* its last line is whole, but for the line's end */
  result *results; /* (p, seeds, methods) */
  size_t total, found;
  int terminal;
  double shown;
  char doing[96];
} study;

static result *result_of(const study *s, size_t ip, size_t is, int method) {
  return &s->results[(ip * s->a->seed_count + is) * METHODS + (size_t)method];
}

static setting setting_of(const arguments *a, size_t ip, size_t is, int method) {
  setting k;
  memset(&k, 0, sizeof k);
  k.model = a->model;
  k.method = method_names[method];
  k.d = a->d;
  k.test_size = a->test_size;
  k.p = a->p[ip];
  k.seed = a->first_seed + is;
  if (method == LAZY || method == COMPRESSED) k.lazy_h = a->lazy_h;
  if (method != LAZY) {
    k.h = a->h;
    k.alpha = a->alpha;
    k.tol = a->tol;
  }
  return k;
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

/* A number, `null_is` for null. Returns 0 where there is neither. */
static int field_number(const char *line, const char *name, double null_is, double *value) {
  const char *at = field(line, name);
  char *end;
  *value = null_is;
  if (!at) return 0;
  if (!strncmp(at, "null", 4)) return 1;
  *value = strtod(at, &end);
  return end > at;
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
  for (*ip = 0; *ip < a->p_count && (double)a->p[*ip] != p; ++*ip) continue;
  for (*is = 0; *is < a->seed_count && (double)(a->first_seed + *is) != seed; ++*is) continue;
  if (*ip == a->p_count || *is == a->seed_count) return 0;
  k = setting_of(a, *ip, *is, method);
  return field_is(line, "model", k.model) && field_equals(line, "d", (double)k.d) &&
         field_equals(line, "h", (double)k.h) && field_equals(line, "alpha", k.alpha) &&
         field_equals(line, "tol", k.tol) && field_equals(line, "lazy_h", (double)k.lazy_h) &&
         field_equals(line, "test_size", (double)k.test_size);
}

/* Takes over a line of the file, where it is a result of this study that is not known yet. */
static void take_line(study *s, const char *line) {
  int method;
  for (method = 0; method < METHODS; method++) {
    size_t ip, is, length;
    result r, *known;
    const char *status = field(line, "status");
    memset(&r, 0, sizeof r);
    if (!place(s->a, line, method, &ip, &is) || !status || *status != '"') continue;
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
    text = (char *)malloc(*size + 1);
    if (!text) fail("out of memory");
    if (fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, *size, file) != *size) fail("%s: cannot be read", path);
    text[*size] = 0;
  }
  fclose(file);
  return text;
}

static const char line_begin[] = "{\"model\": \"";

/* A last line without its end: whole, when it was written by an editor, say, or torn when a run was killed. */
static void take_last_line(study *s, const char *path, const char *text, const char *line, size_t length) {
  size_t begin = length < strlen(line_begin) ? length : strlen(line_begin);
  if (length == 0) return;
  if (line[0] == '{' && line[length - 1] == '}') {
    take_line(s, line);
    s->open_ended = 1;
  } else if (!strncmp(line, line_begin, begin)) {
    s->torn = (long)(line - text);
  } else {
    fail("%s: its last line is torn, and none of this program's", path);
  }
}

static void read_results(study *s, const char *path) {
  size_t size = 0, number = 1;
  char *text = read_file(path, &size), *line = text, *end;
  if (!text) return;
  for (; (end = (char *)memchr(line, '\n', size - (size_t)(line - text))) != NULL; line = end + 1, number++) {
    *end = 0;
    if (*line == '{') take_line(s, line);
    else if (line[strspn(line, " \t\r")]) fail("%s: not a file of JSON lines (line %lu)", path, (unsigned long)number);
  }
  take_last_line(s, path, text, line, size - (size_t)(line - text));
  free(text);
}

/* Before the long work: to append, behind what is whole. */
static void open_results(study *s, const char *path) {
  s->file = fopen(path, "ab");
  if (!s->file) fail("%s: cannot be written", path);
  setvbuf(s->file, NULL, _IOFBF, 1 << 12); /* more than a line */
  if (s->torn >= 0 && ftruncate(fileno(s->file), s->torn) != 0) fail("%s: cannot be written", path);
  if (s->open_ended && (fputc('\n', s->file) == EOF || fflush(s->file) != 0)) fail("%s: cannot be written", path);
}

static void add(char line[1024], const char *format, ...) {
  size_t length = strlen(line);
  va_list list;
  va_start(list, format);
  vsnprintf(line + length, 1024 - length, format, list);
  va_end(list);
}

/* In as few digits as give the same number again. */
static void add_number(char line[1024], const char *name, double value, int known) {
  char text[32] = "null";
  int digits;
  for (digits = 15; known && digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  add(line, ", \"%s\": %s", name, text);
}

/* Now it is known: in the file by one write, so that no line is ever torn but by a crash of the system. */
static void record(study *s, size_t ip, size_t is, int method, const result *r) {
  setting k = setting_of(s->a, ip, is, method);
  char line[1024] = "";
  *result_of(s, ip, is, method) = *r;
  s->found++;
  if (!s->file) return;
  add(line, "%s%s\", \"d\": %lu", line_begin, k.model, (unsigned long)k.d);
  add_number(line, "h", (double)k.h, k.h > 0);
  add_number(line, "alpha", k.alpha, k.alpha > 0);
  add_number(line, "tol", k.tol, k.tol > 0);
  add_number(line, "lazy_h", (double)k.lazy_h, k.lazy_h > 0);
  add(line, ", \"test_size\": %lu, \"p\": %lu, \"seed\": %lu, \"method\": \"%s\"", (unsigned long)k.test_size,
      (unsigned long)k.p, (unsigned long)k.seed, k.method);
  add_number(line, "test_error", r->test_error, r->test_error >= 0);
  add_number(line, "lambda_star", r->lambda, r->lambda >= 0);
  add(line, ", \"status\": \"%s\"}\n", r->status);
  if (fwrite(line, 1, strlen(line), s->file) != strlen(line) || fflush(s->file) != 0)
    fail("%s: cannot be written", s->a->out);
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
  (void)stage;
  if (s->terminal && seconds() - s->shown > 0.1) {
    s->shown = seconds();
    fprintf(stderr, "\r%lu of %lu known; %-46s %5.1f %%", (unsigned long)s->found, (unsigned long)s->total, s->doing,
            done > 0 ? 100 * done : 0);
    fflush(stderr);
  }
  return interrupted != 0;
}

static void begin(study *s, size_t ip, size_t is, int method) {
  snprintf(s->doing, sizeof s->doing, "p = %lu, seed %lu, %s", (unsigned long)s->a->p[ip],
           (unsigned long)(s->a->first_seed + is), method_names[method]);
  s->shown = 0;
  progress("", 0, s);
}

/* ---- learning */

enum { BLOCK = 512, STORED_MAX = 8192 }; /* test points at a time; points whose kernel is kept whole */

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* x_perp is divided by `compression`. */
static void draw(const study *s, size_t n, size_t is, uint64_t stream, double compression, invman_data *out) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = s->a->kind;
  model.d = s->a->d;
  model.compression = compression;
  invman_rng_seed(&rng, s->a->first_seed + is, stream);
  check(invman_data_sample(s->ctx, &model, n, &rng, out), "points");
}

static int one_label(const invman_data *data) {
  size_t i;
  for (i = 1; i < data->n; i++)
    if (data->y[i] != data->y[0]) return 0;
  return 1;
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

static double share_of_errors(const double *F, const double *y, size_t n) {
  size_t i, wrong = 0;
  for (i = 0; i < n; i++) wrong += !(y[i] * F[i] > 0);
  return (double)wrong / (double)n;
}

/* The network, trained; `net` is made, to be freed. */
static void train(study *s, size_t is, const invman_data *points, const invman_data *test, invman_net *net, result *r) {
  const invman_flow_info *info;
  invman_flow_options options;
  invman_flow *flow;
  invman_rng rng;
  double *F = numbers(test->n, 1);
  memset(&options, 0, sizeof options);
  options.alpha = s->a->alpha;
  options.rotation_tol = options.margin_tol = s->a->tol;
  options.d_par = s->a->d_par;
  invman_rng_seed(&rng, s->a->first_seed + is, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(s->ctx, s->a->h, points->d, &rng, net), "network");
  check(invman_flow_create(s->ctx, net, points, &options, &flow), "training");
  check(invman_flow_run(flow), "training");
  check(invman_flow_predict(flow, test->x, test->n, F), "prediction");
  info = invman_flow_get_info(flow);
  r->test_error = share_of_errors(F, test->y, test->n);
  r->lambda = info->t_star > 0 && points->d > s->a->d_par ? info->lambda_star : -1;
  set_status(r, "", info->status);
  invman_flow_free(flow);
  free(F);
}

/* A kernel on its points: the network's, or that of infinite width where net is NULL. */
typedef struct kernel {
  const study *s;
  const invman_net *net;
  const invman_data *points;
} kernel;

/* K (n,m) of x (n,d) with z (m,d); z NULL: with themselves. */
static void gram(const kernel *k, const double *x, size_t n, const double *z, size_t m, double *K) {
  const invman_context *ctx = k->s->ctx;
  if (k->net) check(invman_ntk_gram(ctx, k->net, INVMAN_NTK_ALL, x, n, z, m, K), "kernel");
  else check(invman_ntk_gram_infinite(ctx, k->points->d, INVMAN_NTK_ALL, x, n, z, m, K), "kernel");
}

static void column(size_t j, double *out, void *arg) {
  const kernel *k = (const kernel *)arg;
  gram(k, k->points->x, k->points->n, k->points->x + j * k->points->d, 1, out);
}

/* F(x) = sum_mu a_mu K(x, x_mu), a block of points at a time. */
static void predict(const kernel *k, const double *a, const invman_data *test, double *F) {
  size_t n = k->points->n, first, i, j;
  double *K = numbers(test->n < BLOCK ? test->n : BLOCK, n);
  for (first = 0; first < test->n && !interrupted; first += BLOCK) {
    size_t count = test->n - first < BLOCK ? test->n - first : BLOCK;
    gram(k, test->x + first * test->d, count, k->points->x, n, K);
    for (i = 0; i < count; i++)
      for (j = 0, F[first + i] = 0; j < n; j++) F[first + i] += K[i * n + j] * a[j];
  }
  free(K);
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
    gram(&k, points->x, n, NULL, 0, K);
    check(invman_lazy_train(s->ctx, K, points->y, n, NULL, a, &info), "kernel");
    free(K);
  }
  predict(&k, a, test, F);
  r->test_error = interrupted ? -1 : share_of_errors(F, test->y, test->n);
  set_status(r, "", interrupted ? INVMAN_STOPPED : info.status);
  free(a);
  free(F);
}

/* The start's kernel; compressed: x_perp / compression. */
static void learn_lazy(study *s, size_t ip, size_t is, double compression, result *r) {
  invman_data points, test;
  invman_net net;
  invman_rng rng;
  memset(&net, 0, sizeof net);
  draw(s, s->a->p[ip], is, INVMAN_STREAM_TRAIN, compression, &points);
  draw(s, s->a->test_size, is, INVMAN_STREAM_TEST, compression, &test);
  if (s->a->lazy_h > 0) {
    invman_rng_seed(&rng, s->a->first_seed + is, INVMAN_STREAM_WEIGHTS);
    check(invman_net_init(s->ctx, s->a->lazy_h, s->a->d, &rng, &net), "network");
  }
  learn(s, s->a->lazy_h > 0 ? &net : NULL, &points, &test, r);
  invman_net_free(s->ctx, &net);
  invman_data_free(s->ctx, &points);
  invman_data_free(s->ctx, &test);
}

/* The trained network's kernel, on fresh points. */
static void learn_end(study *s, size_t ip, size_t is, const invman_net *net, const invman_data *test, result *r) {
  invman_data points;
  draw(s, s->a->p[ip], is, INVMAN_STREAM_KERNEL, 1, &points);
  learn(s, net, &points, test, r);
  invman_data_free(s->ctx, &points);
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
  invman_data points, test;
  invman_net net;
  memset(&net, 0, sizeof net);
  for (method = 0; method < METHODS; method++)
    missing[method] = s->a->wanted[method] && !result_of(s, ip, is, method)->known;
  network = missing[FEATURE] || missing[NTK_END] || (missing[COMPRESSED] && !feature.known);
  draw(s, s->a->p[ip], is, INVMAN_STREAM_TRAIN, 1, &points);
  draw(s, s->a->test_size, is, INVMAN_STREAM_TEST, 1, &test);
  if (network && !one_label(&points)) {
    begin(s, ip, is, FEATURE);
    train(s, is, &points, &test, &net, &feature);
  }
  for (method = 0; method < METHODS; method++) {
    result r;
    if (!missing[method] || (interrupted && method != FEATURE)) continue;
    if (one_label(&points)) set_failed(&r, "all labels are equal");
    else find(s, ip, is, method, &feature, &net, &test, &r);
    if (r.known) record(s, ip, is, method, &r);
  }
  invman_net_free(s->ctx, &net);
  invman_data_free(s->ctx, &points);
  invman_data_free(s->ctx, &test);
}

static size_t count_known(const study *s) {
  size_t ip, is, known = 0;
  int method;
  for (ip = 0; ip < s->a->p_count; ip++)
    for (is = 0; is < s->a->seed_count; is++)
      for (method = 0; method < METHODS; method++) known += s->a->wanted[method] && result_of(s, ip, is, method)->known;
  return known;
}

static int is_missing(const study *s, size_t ip, size_t is) {
  int method, missing = 0;
  for (method = 0; method < METHODS; method++) missing |= s->a->wanted[method] && !result_of(s, ip, is, method)->known;
  return missing;
}

static void run_all(study *s) {
  size_t ip, is;
  for (ip = 0; ip < s->a->p_count; ip++)
    for (is = 0; is < s->a->seed_count && !interrupted; is++)
      if (is_missing(s, ip, is)) run(s, ip, is);
  if (s->terminal) fprintf(stderr, "\r%79s\r", "");
}

/* Fails now, and not after hours, where a file will not be written; leaves nothing behind. */
static void check_writable(const char *path) {
  size_t length = path ? strlen(path) : 0;
  char *name = (char *)malloc(length + 5);
  FILE *file;
  if (!name) fail("out of memory");
  if (length > 0) {
    memcpy(name, path, length);
    memcpy(name + length, ".tmp", 5);
    file = fopen(name, "wb");
    if (!file || fclose(file) != 0) fail("%s: cannot be created", path);
    remove(name);
  }
  free(name);
}

/* ---- what comes out */

static int smaller_first(const void *a, const void *b) {
  const double *x = (const double *)a, *y = (const double *)b;
  return (*x > *y) - (*x < *y);
}

/* A method's curve: test errors of the runs that are done, their quartiles, and the exponent of the medians. */
typedef struct curve {
  size_t n; /* p with at least one run */
  size_t p[P_MAX], runs[P_MAX];
  double low[P_MAX], median[P_MAX], high[P_MAX], slope[P_MAX]; /* slope: to the next p */
  int fitted;
  double exponent, interval[2], predicted; /* error ~ p^-exponent */
} curve;

static double quantile(const double *sorted, size_t n, double share) {
  double at = share * (double)(n - 1);
  size_t k = (size_t)at;
  return k + 1 < n ? sorted[k] + (at - (double)k) * (sorted[k + 1] - sorted[k]) : sorted[n - 1];
}

/* The exponent, with its 95 % bootstrap interval over the seeds. */
static void fit(const study *s, curve *c, const double *errors) {
  double p[P_MAX];
  size_t k;
  invman_rng rng;
  for (k = 0; k < c->n; k++) {
    p[k] = (double)c->p[k];
    if (!(c->median[k] > 0)) return; /* no power law has an error of 0 */
  }
  if (c->n < 2) return;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_KERNEL);
  check(invman_median_power_law(s->ctx, p, errors, c->n, s->a->seed_count, 2000, &rng, &c->exponent, c->interval),
        "exponent");
  c->fitted = 1;
}

static curve curve_of(const study *s, int method) {
  size_t seeds = s->a->seed_count, ip, is, k;
  double *errors = numbers(s->a->p_count, seeds), *row = numbers(seeds, 1);
  curve c;
  memset(&c, 0, sizeof c);
  c.predicted = method == LAZY ? invman_beta_lazy(s->a->d) : invman_beta_feature(s->a->d, s->a->d_par);
  for (ip = 0; ip < s->a->p_count; ip++) {
    size_t n = 0;
    for (is = 0; is < seeds; is++) {
      const result *r = result_of(s, ip, is, method);
      errors[c.n * seeds + is] = r->done ? r->test_error : (double)NAN;
      if (r->done) row[n++] = r->test_error;
    }
    if (n == 0) continue;
    qsort(row, n, sizeof *row, smaller_first);
    c.p[c.n] = s->a->p[ip];
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
  printf("\n%s\n%8s %6s %10s %8s\n", method_names[method], "p", "seeds", "median", "slope");
  for (ip = 0; ip < s->a->p_count; ip++) {
    if (k == c.n || c.p[k] != s->a->p[ip]) {
      printf("%8lu %6d %10s\n", (unsigned long)s->a->p[ip], 0, "-");
      continue;
    }
    printf("%8lu %6lu %10.5f", (unsigned long)c.p[k], (unsigned long)c.runs[k], c.median[k]);
    if (k + 1 < c.n && c.median[k] > 0 && c.median[k + 1] > 0) printf(" %8.3f", c.slope[k]);
    putchar('\n');
    k++;
  }
  if (c.fitted)
    printf("exponent %.3f, 95 %% interval %.3f to %.3f", 0 - c.exponent, 0 - c.interval[1], 0 - c.interval[0]);
  else printf("exponent -");
  printf(", predicted %.3f\n", c.predicted);
}

static void write_parameters(FILE *file, const arguments *a) {
  fprintf(file, "# model %s, d %lu, h %lu, lazy_h ", a->model, (unsigned long)a->d, (unsigned long)a->h);
  if (a->lazy_h) fprintf(file, "%lu", (unsigned long)a->lazy_h);
  else fputs("infinite", file);
  fprintf(file, ", alpha %g, tol %g, %lu test points, seeds %lu to %lu\n", a->alpha, a->tol,
          (unsigned long)a->test_size, (unsigned long)a->first_seed,
          (unsigned long)(a->first_seed + a->seed_count - 1));
}

/* The curves, and below them, as comments, the exponents. */
static void write_csv(const study *s, const char *path) {
  size_t length = strlen(path), k;
  char *name = (char *)malloc(length + 5);
  FILE *file;
  int method, bad;
  if (!name) fail("out of memory");
  memcpy(name, path, length);
  memcpy(name + length, ".tmp", 5);
  file = fopen(name, "w");
  if (!file) fail("%s: cannot be created", path);
  write_parameters(file, s->a);
  fputs("model,d,method,p,seeds,error_median,error_q1,error_q3\n", file);
  for (method = 0; method < METHODS; method++) {
    curve c = curve_of(s, method);
    if (!s->a->wanted[method]) continue;
    for (k = 0; k < c.n; k++)
      fprintf(file, "%s,%lu,%s,%lu,%lu,%.6g,%.6g,%.6g\n", s->a->model, (unsigned long)s->a->d, method_names[method],
              (unsigned long)c.p[k], (unsigned long)c.runs[k], c.median[k], c.low[k], c.high[k]);
    if (c.fitted)
      fprintf(file, "# exponent %s %s d=%lu: predicted %.4f, measured %.4f, interval %.4f to %.4f\n",
              method_names[method], s->a->model, (unsigned long)s->a->d, c.predicted, 0 - c.exponent, 0 - c.interval[1],
              0 - c.interval[0]);
  }
  bad = ferror(file);
  bad |= fclose(file) != 0;
#ifdef _WIN32
  if (!bad) remove(path);
#endif
  if (bad || rename(name, path) != 0) {
    remove(name);
    fail("%s: cannot be written", path);
  }
  free(name);
}

/* The runs that do not count, and why. Returns how many. */
static size_t show_unused(const study *s) {
  size_t ip, is, unused = 0;
  int method;
  for (method = 0; method < METHODS; method++)
    for (ip = 0; ip < s->a->p_count; ip++)
      for (is = 0; is < s->a->seed_count; is++) {
        const result *r = result_of(s, ip, is, method);
        if (!s->a->wanted[method] || !r->known || r->done) continue;
        if (unused++ == 0) printf("\nnot used\n");
        printf("%s, p = %lu, seed %lu: %s\n", method_names[method], (unsigned long)s->a->p[ip],
               (unsigned long)(s->a->first_seed + is), r->status);
      }
  return unused;
}

int main(int argc, char **argv) {
  invman_context ctx;
  arguments a;
  study s;
  int method;
  size_t unused;
  memset(&ctx, 0, sizeof ctx);
  memset(&s, 0, sizeof s);
  ctx.error = &error;
  ctx.progress = progress;
  ctx.user = &s;
  parse(argc, argv, &a);
  s.ctx = &ctx;
  s.a = &a;
  s.torn = -1;
  s.terminal = isatty(fileno(stderr));
  s.results = (result *)calloc(a.p_count * a.seed_count * METHODS, sizeof(result));
  if (!s.results) fail("out of memory");
  for (method = 0; method < METHODS; method++) s.total += a.wanted[method] ? a.p_count * a.seed_count : 0;
  if (a.out) read_results(&s, a.out);
  s.found = count_known(&s);
  check_writable(a.csv);
  if (a.out && s.found < s.total) open_results(&s, a.out);

  printf("%s, d = %lu, h = %lu, alpha = %g; %lu of %lu results are known\n", a.model, (unsigned long)a.d,
         (unsigned long)a.h, a.alpha, (unsigned long)s.found, (unsigned long)s.total);
  fflush(stdout);
  signal(SIGINT, interrupt);
  run_all(&s);
  for (method = 0; method < METHODS; method++)
    if (a.wanted[method]) show_curve(&s, method);
  if (a.csv) write_csv(&s, a.csv);
  unused = show_unused(&s);
  if (interrupted) printf("\nstopped: %lu of %lu results are known\n", (unsigned long)s.found, (unsigned long)s.total);
  if (s.file && fclose(s.file) != 0) fail("%s: cannot be written", a.out);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free(s.results);
  return unused > 0;
}
