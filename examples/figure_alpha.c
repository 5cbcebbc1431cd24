/* From features to the frozen kernel: test error, t* and Lambda against the scale alpha of the predictor, beside the
   error of the frozen kernel of the start (Fig. 11 of the paper, Appendix B), and what theory says of both ends. Runs
   go to a file as they end; a rerun goes on.

   cc -O3 -fopenmp -I.. figure_alpha.c -o figure_alpha -lm
   ./figure_alpha --help */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, ftruncate, isatty, mkdir */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
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
    "figure_alpha - test error, t* and compression against the scale alpha of the predictor\n"
    "\n"
    "  figure_alpha [options]\n"
    "\n"
    "  --alpha A,A,...            scales, increasing\n"
    "  --alpha-range LOW:HIGH:N   or N of them from LOW to HIGH, in equal ratios (1e-16:1e8:25)\n"
    "  --seeds A:B                of points and weights, A to B (1:5)\n"
    "  --d N                      inputs of the single stripe (10)\n"
    "  --p N                      training points (1000)\n"
    "  --h N                      neurons (1000)\n"
    "  --tol X                    error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --test-size N              test points (10000)\n"
    "  --out DIRECTORY            for the files below, made if need be; without it they are not written\n"
    "  --help, --version\n"
    "\n"
    "  figure_alpha --seeds 1:5 --h 10000 --out alpha\n"
    "  figure_alpha --alpha 1e-12,1e-9,1e-6,1e-3,1,1e3,1e4,1e5 --seeds 1:3 --out alpha\n"
    "\n"
    "In DIRECTORY, where tables of the same name are replaced:\n"
    "  alpha_scan.csv     means over the seeds and their standard errors; the frozen kernel's test error, of the same\n"
    "                     points and networks, in every row\n"
    "  alpha_verdict.csv  what is expected at both ends, measured\n"
    "  runs.jsonl         a line of JSON per run, times in the units of t (not of tau = h sqrt(d/2)); what is there\n"
    "                     already is not computed again. Lines of other settings stay as they are; the torn last line\n"
    "                     of a program that was killed is removed.\n"
    "The frozen kernel takes 8 p^2 bytes. Ctrl-C ends the runs early: what is known is written, and shown; a second "
    "one\n"
    "ends the program.\n"
    "\n"
    "Exit status: 0 done, or Ctrl-C ended it; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_alpha: ", stderr);
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

enum { ALPHA_MAX = 200, SEEDS_MAX = 100000 };

typedef struct range {
  size_t first, count;
} range;

typedef struct arguments {
  const char *out;
  double alpha[ALPHA_MAX];
  size_t alpha_count;
  range seeds;
  size_t d, p, h, test_size;
  double tol;
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

static void parse_alpha(const char *flag, const char *list, arguments *a) {
  char value[32];
  for (a->alpha_count = 0; list; a->alpha_count++) {
    if (a->alpha_count == ALPHA_MAX) fail("%s: more than %d values", flag, (int)ALPHA_MAX);
    list = next_value(flag, list, ',', value);
    a->alpha[a->alpha_count] = positive_number(flag, value);
    if (a->alpha_count > 0 && a->alpha[a->alpha_count] <= a->alpha[a->alpha_count - 1])
      fail("%s: the values must increase", flag);
  }
}

/* To ten digits, so that the powers of ten are what one would write. */
static void parse_alpha_range(const char *flag, const char *text, arguments *a) {
  char value[32];
  const char *rest = next_value(flag, text, ':', value);
  double low = positive_number(flag, value), high;
  size_t i;
  if (!rest) fail("%s: '%s' is not LOW:HIGH:N", flag, text);
  rest = next_value(flag, rest, ':', value);
  high = positive_number(flag, value);
  if (!rest) fail("%s: '%s' is not LOW:HIGH:N", flag, text);
  if (!(low < high)) fail("%s: the values must increase", flag);
  a->alpha_count = whole_number(flag, rest, 2);
  if (a->alpha_count > ALPHA_MAX) fail("%s: more than %d values", flag, (int)ALPHA_MAX);
  for (i = 0; i < a->alpha_count; i++) {
    double share = (double)i / (double)(a->alpha_count - 1);
    snprintf(value, sizeof value, "%.10g", exp((1 - share) * log(low) + share * log(high)));
    a->alpha[i] = strtod(value, NULL);
    if (i > 0 && !(a->alpha[i] > a->alpha[i - 1])) fail("%s: too many values", flag);
  }
}

static range parse_seeds(const char *flag, const char *text) {
  char value[32];
  range r;
  size_t last;
  text = next_value(flag, text, ':', value);
  last = r.first = whole_number(flag, value, 0);
  if (text) last = whole_number(flag, text, 0);
  if (last < r.first) fail("%s: the last is smaller than the first", flag);
  if (last - r.first >= SEEDS_MAX) fail("%s: more than %d", flag, (int)SEEDS_MAX);
  if ((double)last > 9e15) fail("%s must be at most 9e15", flag); /* what a double tells from its neighbours */
  r.count = last - r.first + 1;
  return r;
}

static void set_defaults(arguments *a) {
  memset(a, 0, sizeof *a);
  a->d = 10;
  a->p = 1000;
  a->h = 1000;
  a->tol = 0.1;
  a->test_size = 10000;
  a->seeds = parse_seeds("--seeds", "1:5");
}

static void parse(int argc, char **argv, arguments *a) {
  const char *list = NULL, *scan = NULL;
  int i;
  set_defaults(a);
  for (i = 1; i < argc; i++) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("figure_alpha, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    i++;
    if (!strcmp(flag, "--alpha")) parse_alpha(flag, list = value, a);
    else if (!strcmp(flag, "--alpha-range")) parse_alpha_range(flag, scan = value, a);
    else if (!strcmp(flag, "--out")) a->out = value;
    else if (!strcmp(flag, "--seeds")) a->seeds = parse_seeds(flag, value);
    else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 2);
    else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--tol")) {
      a->tol = positive_number(flag, value);
      if (a->tol > 1) fail("--tol must be at most 1");
    } else fail("%s: unknown option; see --help", flag);
  }
  if (list && scan) fail("give one of --alpha and --alpha-range");
  if (!list && !scan) parse_alpha_range("--alpha-range", "1e-16:1e8:25", a);
  if (a->out && !*a->out) fail("--out: the name is empty");
}

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- the runs: of a seed, the network at every alpha, and the frozen kernel behind them */

typedef struct run {
  int known, done;                                                  /* done: to zero loss */
  double test_error, t_star, lambda_start, lambda_star, lambda_max; /* below 0: there is none */
  char status[96];
} run;

typedef struct study {
  const invman_context *ctx;
  const arguments *a;
  const char *path; /* of the runs' file; NULL: none */
  FILE *file;
  long torn;      /* where its last line begins, if that is torn; else -1 */
  int open_ended; /* its last line is whole, but for the line's end */
  run *runs;      /* (seeds, alphas + 1) */
  size_t total, found;
  int terminal;
  double shown, began, work, worked; /* work: runs not known at the start */
  char doing[96];
  invman_fixed_point fastest; /* of the attractors */
} study;

static run *run_of(const study *s, size_t is, size_t ia) { return &s->runs[is * (s->a->alpha_count + 1) + ia]; }

static int is_kernel(const study *s, size_t ia) { return ia == s->a->alpha_count; }

static double tau_of(const study *s) { return (double)s->a->h * sqrt(0.5 * (double)s->a->d); }

/* ---- the file of them */

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

/* The wanted run that a line is of, NULL: none. */
static run *place(const study *s, const char *line) {
  const arguments *a = s->a;
  int network = field_is(line, "method", "network");
  double seed;
  size_t ia;
  if (!field_is(line, "program", "figure_alpha") || (!network && !field_is(line, "method", "kernel")) ||
      !field_equals(line, "d", (double)a->d) || !field_equals(line, "p", (double)a->p) ||
      !field_equals(line, "h", (double)a->h) || !field_equals(line, "test_size", (double)a->test_size) ||
      !field_number(line, "seed", -1, &seed))
    return NULL;
  if (!(seed >= (double)a->seeds.first && seed - (double)a->seeds.first < (double)a->seeds.count)) return NULL;
  for (ia = network ? 0 : a->alpha_count; ia < a->alpha_count && !field_equals(line, "alpha", a->alpha[ia]); ia++)
    continue;
  if (network && (is_kernel(s, ia) || !field_equals(line, "tol", a->tol))) return NULL;
  return run_of(s, (size_t)(seed - (double)a->seeds.first), ia);
}

static void judge(run *r, const char *status, size_t length) {
  if (length >= sizeof r->status) length = sizeof r->status - 1;
  memcpy(r->status, status, length);
  r->status[length] = 0;
  r->known = 1;
  r->done = r->test_error >= 0 && !strcmp(r->status, invman_status_string(INVMAN_OK));
}

/* Takes over a line of the file, where it is a run of this study that is not known yet. */
static void take_line(study *s, const char *line) {
  run *r = place(s, line), q;
  const char *status = field(line, "status");
  if (!r || r->known || !status || *status != '"') return;
  memset(&q, 0, sizeof q);
  if (!field_number(line, "test_error", -1, &q.test_error) || !field_number(line, "t_star", -1, &q.t_star) ||
      !field_number(line, "lambda_start", -1, &q.lambda_start) ||
      !field_number(line, "lambda_star", -1, &q.lambda_star) || !field_number(line, "lambda_max", -1, &q.lambda_max))
    return;
  judge(&q, status + 1, strcspn(status + 1, "\""));
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
    text = (char *)malloc(*size + 1);
    if (!text) fail("out of memory");
    if (fseek(file, 0, SEEK_SET) != 0 || fread(text, 1, *size, file) != *size) fail("%s: cannot be read", path);
    text[*size] = 0;
  }
  fclose(file);
  return text;
}

static const char line_begin[] = "{\"program\": \"figure_";

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
static void record(study *s, size_t is, size_t ia) {
  const arguments *a = s->a;
  const run *r = run_of(s, is, ia);
  int network = !is_kernel(s, ia);
  char line[1024] = "";
  s->found++;
  if (!s->file) return;
  add(line, "%salpha\", \"method\": \"%s\", \"d\": %lu, \"p\": %lu, \"h\": %lu, \"test_size\": %lu", line_begin,
      network ? "network" : "kernel", (unsigned long)a->d, (unsigned long)a->p, (unsigned long)a->h,
      (unsigned long)a->test_size);
  add_number(line, "alpha", network ? a->alpha[ia] : 0, network);
  add_number(line, "tol", a->tol, network);
  add(line, ", \"seed\": %lu", (unsigned long)(a->seeds.first + is));
  add_number(line, "test_error", r->test_error, r->test_error >= 0);
  add_number(line, "t_star", r->t_star, r->t_star >= 0);
  add_number(line, "lambda_start", r->lambda_start, r->lambda_start >= 0);
  add_number(line, "lambda_star", r->lambda_star, r->lambda_star >= 0);
  add_number(line, "lambda_max", r->lambda_max, r->lambda_max >= 0);
  add(line, ", \"status\": \"%s\"}\n", r->status);
  if (fwrite(line, 1, strlen(line), s->file) != strlen(line) || fflush(s->file) != 0)
    fail("%s: cannot be written", s->path);
}

/* ---- while it runs */

static volatile sig_atomic_t interrupted;
static void interrupt(int number) { /* the first one ends the run, the second one the program */
  interrupted = 1;
  signal(number, SIG_DFL);
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* How long the rest will take, to judge by what is done; "" where nothing is. */
static const char *time_left(const study *s, char text[32]) {
  double left = s->worked > 0 ? (s->work - s->worked) * (seconds() - s->began) / s->worked : 0;
  text[0] = 0;
  if (s->worked > 0 && left < 100) snprintf(text, 32, "%.0f s left", left);
  else if (s->worked > 0 && left < 6000) snprintf(text, 32, "%.0f min left", left / 60);
  else if (s->worked > 0) snprintf(text, 32, "%.0f h left", left / 3600);
  return text;
}

static int progress(const char *stage, double done, void *user) {
  study *s = (study *)user;
  char left[32];
  (void)stage;
  if (s->terminal && seconds() - s->shown > 0.1) {
    s->shown = seconds();
    fprintf(stderr, "\r%lu of %lu known; %-28s %5.1f %%  %-11s", (unsigned long)s->found, (unsigned long)s->total,
            s->doing, done > 0 ? 100 * done : 0, time_left(s, left));
    fflush(stderr);
  }
  return interrupted != 0;
}

/* ---- a run */

enum { BLOCK = 512 }; /* test points at a time */

static int one_label(const invman_data *data) {
  size_t i;
  for (i = 1; i < data->n; i++)
    if (data->y[i] != data->y[0]) return 0;
  return 1;
}

static double share_of_errors(const double *F, const double *y, size_t n) {
  size_t i, wrong = 0;
  for (i = 0; i < n; i++) wrong += !(y[i] * F[i] > 0);
  return (double)wrong / (double)n;
}

static void draw(const study *s, size_t n, size_t is, uint64_t stream, invman_data *out) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.d = s->a->d;
  invman_rng_seed(&rng, s->a->seeds.first + is, stream);
  check(invman_data_sample(s->ctx, &model, n, &rng, out), "points");
}

static void train(const study *s, double alpha, invman_net *net, const invman_data *points, const invman_data *test,
                  run *r) {
  const invman_flow_info *info;
  invman_flow_options options;
  invman_flow *flow;
  double *F = numbers(test->n, 1);
  memset(&options, 0, sizeof options);
  options.alpha = alpha;
  options.rotation_tol = options.margin_tol = s->a->tol;
  r->lambda_start = invman_amplification(net, 1);
  check(invman_flow_create(s->ctx, net, points, &options, &flow), "training");
  check(invman_flow_run(flow), "training");
  info = invman_flow_get_info(flow);
  if (info->end != INVMAN_END_PROGRESS) {
    const char *status = invman_status_string(info->status);
    check(invman_flow_predict(flow, test->x, test->n, F), "prediction");
    r->test_error = share_of_errors(F, test->y, test->n);
    if (info->t_star > 0) {
      r->t_star = info->t_star;
      r->lambda_star = info->lambda_star;
    }
    r->lambda_max = info->lambda_max;
    judge(r, status, strlen(status));
  }
  invman_flow_free(flow);
  free(F);
}

/* F(x) = sum_mu a_mu K(x, x_mu), a block of points at a time. */
static void predict(const study *s, const invman_net *net, const invman_data *points, const double *a,
                    const invman_data *test, double *F) {
  size_t n = points->n, first, i, j;
  double *K = numbers(test->n < BLOCK ? test->n : BLOCK, n);
  for (first = 0; first < test->n && !interrupted; first += BLOCK) {
    size_t count = test->n - first < BLOCK ? test->n - first : BLOCK;
    check(invman_ntk_gram(s->ctx, net, INVMAN_NTK_ALL, test->x + first * test->d, count, points->x, n, K), "kernel");
    for (i = 0; i < count; i++)
      for (j = 0, F[first + i] = 0; j < n; j++) F[first + i] += K[i * n + j] * a[j];
  }
  free(K);
}

/* What the network would do for alpha -> infinity. */
static void learn(const study *s, const invman_net *net, const invman_data *points, const invman_data *test, run *r) {
  size_t n = points->n;
  double *K = numbers(n, n), *a = numbers(n, 1), *F = numbers(test->n, 1);
  invman_lazy_info info;
  check(invman_ntk_gram(s->ctx, net, INVMAN_NTK_ALL, points->x, n, NULL, 0, K), "kernel");
  check(invman_lazy_train(s->ctx, K, points->y, n, NULL, a, &info), "kernel");
  predict(s, net, points, a, test, F);
  if (!interrupted) {
    const char *status = invman_status_string(info.status);
    r->test_error = share_of_errors(F, test->y, test->n);
    judge(r, status, strlen(status));
  }
  free(F);
  free(a);
  free(K);
}

static void begin(study *s, size_t is, size_t ia) {
  unsigned long seed = (unsigned long)(s->a->seeds.first + is);
  if (is_kernel(s, ia)) snprintf(s->doing, sizeof s->doing, "seed %lu, frozen kernel", seed);
  else snprintf(s->doing, sizeof s->doing, "seed %lu, alpha = %.4g", seed, s->a->alpha[ia]);
  s->shown = 0;
  progress("", 0, s);
}

static void work(study *s, size_t is, size_t ia, const invman_data *points, const invman_data *test) {
  static const char one[] = "all labels are equal";
  run *r = run_of(s, is, ia);
  invman_net net;
  invman_rng rng;
  memset(r, 0, sizeof *r);
  r->test_error = r->t_star = r->lambda_start = r->lambda_star = r->lambda_max = -1;
  begin(s, is, ia);
  invman_rng_seed(&rng, s->a->seeds.first + is, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(s->ctx, s->a->h, s->a->d, &rng, &net), "network");
  if (one_label(points)) judge(r, one, strlen(one));
  else if (is_kernel(s, ia)) learn(s, &net, points, test, r);
  else train(s, s->a->alpha[ia], &net, points, test, r);
  if (r->known) record(s, is, ia);
  s->worked++;
  invman_net_free(s->ctx, &net);
}

static void work_seed(study *s, size_t is) {
  invman_data points, test;
  size_t ia;
  draw(s, s->a->p, is, INVMAN_STREAM_TRAIN, &points);
  draw(s, s->a->test_size, is, INVMAN_STREAM_TEST, &test);
  for (ia = s->a->alpha_count + 1; ia-- > 0 && !interrupted;) /* the kernel first: it takes the most memory */
    if (!run_of(s, is, ia)->known) work(s, is, ia, &points, &test);
  invman_data_free(s->ctx, &points);
  invman_data_free(s->ctx, &test);
}

static int is_missing(const study *s, size_t is) {
  size_t ia, missing = 0;
  for (ia = 0; ia <= s->a->alpha_count; ia++) missing += run_of(s, is, ia)->known ? 0 : 1;
  return missing > 0;
}

static void work_all(study *s) {
  size_t is;
  s->work = (double)(s->total - s->found);
  s->began = seconds();
  for (is = 0; is < s->a->seeds.count && !interrupted; is++)
    if (is_missing(s, is)) work_seed(s, is);
  if (s->terminal) fprintf(stderr, "\r%79s\r", "");
}

/* ---- what comes of them */

/* A mean over seeds, and its standard error (0 for one seed). */
typedef struct estimate {
  size_t n;
  double mean, error;
} estimate;

/* Of those that are not NaN. */
static estimate mean_of(const double *values, size_t count) {
  estimate e;
  size_t i;
  double square = 0;
  memset(&e, 0, sizeof e);
  for (i = 0; i < count; i++) {
    if (isnan(values[i])) continue;
    e.mean += values[i];
    e.n++;
  }
  if (e.n > 0) e.mean /= (double)e.n;
  for (i = 0; i < count; i++)
    if (!isnan(values[i])) square += (values[i] - e.mean) * (values[i] - e.mean);
  if (e.n > 1) e.error = sqrt(square / (double)(e.n - 1) / (double)e.n);
  return e;
}

/* The ratio of two means over the seeds that have both, and its standard error. */
static estimate ratio_of(const double *above, const double *below, size_t count) {
  double *rest = numbers(count, 1), up = 0, down = 0;
  estimate e;
  size_t i;
  for (i = 0; i < count; i++) {
    if (isnan(above[i]) || isnan(below[i])) continue;
    up += above[i];
    down += below[i];
  }
  for (i = 0; i < count; i++) rest[i] = above[i] - up / down * below[i]; /* of mean 0 */
  e = mean_of(rest, count);
  if (!(down > 0)) e.n = 0;
  e.mean = up / down;
  e.error = e.error * (double)e.n / down;
  free(rest);
  return e;
}

enum { ERROR, TIME, STAR, MOST, STAR_GAIN, MOST_GAIN };

/* One of them, NaN where the run has none. The gains are over the Lambda of the start, which is 1 on average. */
static double value_of(const study *s, const run *r, int quantity) {
  const double none = (double)NAN;
  if (!r->known) return none;
  if (quantity == ERROR) return r->done ? r->test_error : none;
  if (quantity == TIME) return r->t_star > 0 ? r->t_star / tau_of(s) : none;
  if (quantity == STAR) return r->t_star > 0 ? r->lambda_star : none;
  if (quantity == STAR_GAIN) return r->t_star > 0 ? r->lambda_star / r->lambda_start : none;
  if (!r->done || r->lambda_max < 0) return none;
  return quantity == MOST ? r->lambda_max : r->lambda_max / r->lambda_start;
}

/* Of every seed; to be freed. */
static double *values_of(const study *s, size_t ia, int quantity) {
  double *values = numbers(s->a->seeds.count, 1);
  size_t is;
  for (is = 0; is < s->a->seeds.count; is++) values[is] = value_of(s, run_of(s, is, ia), quantity);
  return values;
}

static estimate mean_at(const study *s, size_t ia, int quantity) {
  double *values = values_of(s, ia, quantity);
  estimate e = mean_of(values, s->a->seeds.count);
  free(values);
  return e;
}

static estimate ratio_at(const study *s, size_t above, size_t below, int quantity) {
  double *up = values_of(s, above, quantity), *down = values_of(s, below, quantity);
  estimate e = ratio_of(up, down, s->a->seeds.count);
  free(up);
  free(down);
  return e;
}

/* The slope of ln t* against ln alpha between two of them. */
static estimate slope_at(const study *s, size_t low, size_t high) {
  double *first = values_of(s, low, TIME), *last = values_of(s, high, TIME);
  estimate e;
  size_t is;
  for (is = 0; is < s->a->seeds.count; is++)
    first[is] = log(last[is] / first[is]) / log(s->a->alpha[high] / s->a->alpha[low]);
  e = mean_of(first, s->a->seeds.count);
  free(first);
  free(last);
  return e;
}

/* The largest alpha that is at least a decade below number `ia`; `ia` if there is none. */
static size_t decade_below(const arguments *a, size_t ia) {
  size_t i;
  for (i = ia; i > 0; i--)
    if (a->alpha[i - 1] <= 0.1 * (1 + 1e-9) * a->alpha[ia]) return i - 1;
  return ia;
}

/* ---- the feature end: t-star/tau against ln(1/alpha)

   Before t-star a neuron at its attractor grows as exp(t/tau-star), omega, b and beta alike, and f is bilinear in
   (omega, b) and beta: F = alpha (f - f_0) ~ alpha exp(2 t/tau-star). It is of order 1 at
   t-star/tau = (tau-star/(2 tau)) ln(1/alpha) + constant, tau-star being the fastest attractor's. */

typedef struct straight {
  size_t n;
  double slope, error, r2;
} straight;

/* Least squares over the values of y that are not NaN; needs two. */
static straight fit_line(const double *x, const double *y, size_t count) {
  double mx = 0, my = 0, xx = 0, xy = 0, yy = 0, rest;
  straight f;
  size_t i;
  memset(&f, 0, sizeof f);
  for (i = 0; i < count; i++) {
    if (isnan(y[i])) continue;
    mx += x[i];
    my += y[i];
    f.n++;
  }
  mx /= (double)f.n;
  my /= (double)f.n;
  for (i = 0; i < count; i++) {
    if (isnan(y[i])) continue;
    xx += (x[i] - mx) * (x[i] - mx);
    xy += (x[i] - mx) * (y[i] - my);
    yy += (y[i] - my) * (y[i] - my);
  }
  if (f.n < 2) return f;
  f.slope = xy / xx;
  rest = yy - f.slope * xy > 0 ? yy - f.slope * xy : 0;
  f.error = f.n > 2 ? sqrt(rest / (double)(f.n - 2) / xx) : 0;
  f.r2 = yy > 0 ? 1 - rest / yy : 1;
  return f;
}

/* How many of the smallest alphas are the feature end: those up to 1e-6, or three. */
static size_t feature_count(const arguments *a) {
  size_t n = 0;
  while (n < a->alpha_count && (n < 3 || a->alpha[n] <= 1e-6 * (1 + 1e-9))) n++;
  return n;
}

/* Of the means over the seeds, is = seeds.count; or of a seed. */
static straight fit_time(const study *s, size_t is) {
  double x[ALPHA_MAX], y[ALPHA_MAX];
  size_t n = feature_count(s->a), ia;
  for (ia = 0; ia < n; ia++) {
    estimate e = mean_at(s, ia, TIME);
    x[ia] = -log(s->a->alpha[ia]);
    y[ia] = is < s->a->seeds.count ? value_of(s, run_of(s, is, ia), TIME) : e.n > 0 ? e.mean : (double)NAN;
  }
  return fit_line(x, y, n);
}

/* The fastest attractor of infinitely many points. */
static invman_fixed_point attractor(const study *s) {
  invman_fixed_point points[16];
  size_t found, i, best = 0;
  check(invman_stripe_fixed_points(NULL, 0, s->a->d, points, 16, &found), "attractors");
  if (found == 0) fail("no attractor is known for d = %lu", (unsigned long)s->a->d);
  for (i = 1; i < found && i < 16; i++)
    if (points[i].time < points[best].time) best = i;
  return points[best];
}

/* G (d+1) = <y 1[u.x > 0] x> over the points x = (x/sqrt(d), 1), for u = (omega, b): a neuron's weights are pushed
   along it. Returns its norm. */
static double push(const invman_data *points, const double *u, double *G) {
  double root = sqrt((double)points->d), norm = 0;
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
  for (k = 0; k <= d; k++) norm += G[k] * G[k];
  return sqrt(norm);
}

/* tau-star/tau of the attractor that these points have where infinitely many have theirs: u turns along G, or against
   it, until they are parallel. Neurons there grow at the rate |G| sqrt(d)/tau. */
static double time_of_points(const invman_data *points, const invman_fixed_point *start) {
  size_t d = points->d, k, round;
  double *u = numbers(d + 1, 1), *G = numbers(d + 1, 1), size = 0;
  double side = start->c1 * start->sign > 0 ? 1 : -1;
  memset(u, 0, (d + 1) * sizeof *u);
  u[0] = start->sign;
  u[d] = -start->z * u[0] / sqrt((double)d);
  for (round = 0; round < 1000; round++) {
    double norm = 0;
    size = push(points, u, G);
    for (k = 0; k <= d; k++) norm += u[k] * u[k];
    norm = sqrt(norm);
    for (k = 0; k <= d && size > 0; k++) u[k] = 0.95 * u[k] / norm + 0.05 * side * G[k] / size;
  }
  free(u);
  free(G);
  return 1 / (size * sqrt((double)d));
}

/* ---- the statements */

enum { NEAR, BELOW, OPEN };

typedef struct statement {
  const char *what;
  char where[64];
  estimate measured;
  double predicted;
  int kind; /* NEAR: the measured should be the predicted; BELOW: below it; OPEN: nothing is predicted */
} statement;

enum { STATEMENTS_MAX = 24 };
static const double floor_of_tolerance = 0.02;

typedef struct report {
  statement of[STATEMENTS_MAX];
  size_t n;
} report;

static void put(report *r, const char *what, double low, double high, estimate measured, int kind, double predicted) {
  statement *s = &r->of[r->n];
  if (measured.n == 0 || isnan(measured.mean) || r->n == STATEMENTS_MAX) return;
  s->what = what;
  if (low < high) snprintf(s->where, sizeof s->where, "%g to %g", low, high);
  else snprintf(s->where, sizeof s->where, "%g", low);
  s->measured = measured;
  s->kind = kind;
  s->predicted = predicted;
  r->n++;
}

static double tolerance(const statement *s) {
  return 2 * s->measured.error > floor_of_tolerance ? 2 * s->measured.error : floor_of_tolerance;
}

static const char *verdict(const statement *s) {
  double difference = s->measured.mean - s->predicted;
  if (s->kind == OPEN) return "-";
  if (s->kind == BELOW) return difference < -2 * s->measured.error ? "yes" : "no";
  return fabs(difference) <= tolerance(s) ? "yes" : "no";
}

static void put_plateaus(const study *s, report *r) {
  const double *alpha = s->a->alpha;
  size_t last = s->a->alpha_count - 1, kernel = s->a->alpha_count;
  if (last > 0) {
    put(r, "test error at the smallest alpha over that at the next", alpha[0], alpha[1], ratio_at(s, 0, 1, ERROR), NEAR,
        1);
    put(r, "Lambda* at the smallest alpha over that at the next", alpha[0], alpha[1], ratio_at(s, 0, 1, STAR), NEAR, 1);
    put(r, "Lambda_max at the smallest alpha over that at the next", alpha[0], alpha[1], ratio_at(s, 0, 1, MOST), NEAR,
        1);
  }
  put(r, "test error at the smallest alpha over the frozen kernel's", alpha[0], alpha[0], ratio_at(s, 0, kernel, ERROR),
      BELOW, 1);
  put(r, "test error at the largest alpha over the frozen kernel's", alpha[last], alpha[last],
      ratio_at(s, last, kernel, ERROR), NEAR, 1);
  put(r, "Lambda* at the largest alpha over Lambda at the start", alpha[last], alpha[last], mean_at(s, last, STAR_GAIN),
      NEAR, 1);
  put(r, "Lambda_max at the largest alpha over Lambda at the start", alpha[last], alpha[last],
      mean_at(s, last, MOST_GAIN), NEAR, 1);
}

static void put_lazy_end(const study *s, report *r) {
  const double *alpha = s->a->alpha;
  size_t last = s->a->alpha_count - 1, below = decade_below(s->a, last), lower = decade_below(s->a, below);
  if (below < last)
    put(r, "slope of ln t* against ln alpha, largest decade", alpha[below], alpha[last], slope_at(s, below, last), NEAR,
        -1);
  if (lower < below)
    put(r, "slope of ln t* against ln alpha, the decade before", alpha[lower], alpha[below], slope_at(s, lower, below),
        NEAR, -1);
}

static estimate exact(double value, double deviation) {
  estimate e;
  e.n = 1;
  e.mean = value;
  e.error = deviation;
  return e;
}

/* Slopes of fits to each seed, and what the seeds' own points predict. */
static void put_seeds(const study *s, report *r, const double *slope, double low, double high) {
  size_t seeds = s->a->seeds.count, is;
  double *own = numbers(seeds, 1);
  for (is = 0; is < seeds; is++) {
    invman_data points;
    draw(s, s->a->p, is, INVMAN_STREAM_TRAIN, &points);
    own[is] = one_label(&points) ? (double)NAN : 0.5 * time_of_points(&points, &s->fastest);
    invman_data_free(s->ctx, &points);
  }
  put(r, "tau*/(2 tau) of the same attractor, of these finitely many points", low, high, mean_of(own, seeds), OPEN, 0);
  put(r, "the seeds' slopes over that", low, high, ratio_of(slope, own, seeds), NEAR, 1);
  free(own);
}

static void put_feature_end(const study *s, report *r) {
  size_t n = feature_count(s->a), seeds = s->a->seeds.count, is;
  double *slope = numbers(seeds, 1), low = s->a->alpha[0], high = s->a->alpha[n - 1];
  straight f = fit_time(s, seeds);
  for (is = 0; is < seeds; is++) {
    straight g = fit_time(s, is);
    slope[is] = g.n < n || n < 2 ? (double)NAN : g.slope;
  }
  put(r, "slope of t*/tau against ln(1/alpha), mean over the seeds; predicted tau*/(2 tau)", low, high,
      mean_of(slope, seeds), NEAR, 0.5 * s->fastest.time);
  if (f.n > 1) {
    put(r, "slope of t*/tau against ln(1/alpha), fit to the means, with the fit's error", low, high,
        exact(f.slope, f.error), OPEN, 0);
    if (f.n > 2) put(r, "R^2 of that fit", low, high, exact(f.r2, 0), NEAR, 1);
  }
  put_seeds(s, r, slope, low, high);
  free(slope);
}

static report statements_of(const study *s) {
  report r;
  memset(&r, 0, sizeof r);
  put_plateaus(s, &r);
  put_lazy_end(s, &r);
  put_feature_end(s, &r);
  return r;
}

/* ---- the tables: written whole, under another name first */

typedef struct sheet {
  FILE *file;
  char *path, *temporary;
} sheet;

static char *join(const char *directory, const char *name, const char *ending) {
  size_t length = strlen(directory) + strlen(name) + strlen(ending) + 2;
  char *path = (char *)malloc(length);
  if (!path) fail("out of memory");
  snprintf(path, length, "%s/%s%s", directory, name, ending);
  return path;
}

static void print_parameters(FILE *file, const arguments *a) {
  fprintf(file, "# figure_alpha, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
          INVMAN_VERSION_PATCH);
  fprintf(file, "# model = stripe\n# d = %lu\n# p = %lu\n# h = %lu\n# tol = %g\n# test_size = %lu\n",
          (unsigned long)a->d, (unsigned long)a->p, (unsigned long)a->h, a->tol, (unsigned long)a->test_size);
  fprintf(file, "# seeds = %lu:%lu\n", (unsigned long)a->seeds.first,
          (unsigned long)(a->seeds.first + a->seeds.count - 1));
  fprintf(file, "# alpha = %g to %g, %lu values\n", a->alpha[0], a->alpha[a->alpha_count - 1],
          (unsigned long)a->alpha_count);
  fprintf(file, "# tau = h sqrt(d/2)\n");
}

static sheet open_sheet(const arguments *a, const char *name) {
  sheet t;
  t.path = join(a->out, name, "");
  t.temporary = join(a->out, name, ".tmp");
  t.file = fopen(t.temporary, "w");
  if (!t.file) fail("%s: cannot be created", t.path);
  print_parameters(t.file, a);
  return t;
}

static void close_sheet(sheet *t) {
  int bad = ferror(t->file);
  bad |= fclose(t->file) != 0;
#ifdef _WIN32
  if (!bad) remove(t->path);
#endif
  if (bad || rename(t->temporary, t->path) != 0) {
    remove(t->temporary);
    fail("%s: cannot be written", t->path);
  }
  printf("%s\n", t->path);
  free(t->path);
  free(t->temporary);
}

static void print_estimate(FILE *file, estimate e) {
  if (e.n == 0) fputs(",,", file);
  else if (e.n == 1) fprintf(file, ",%.6g,", e.mean);
  else fprintf(file, ",%.6g,%.3g", e.mean, e.error);
}

static void write_scan(const study *s) {
  const arguments *a = s->a;
  sheet t = open_sheet(a, "alpha_scan.csv");
  estimate frozen = mean_at(s, a->alpha_count, ERROR);
  size_t ia;
  fputs("# means over the seeds, with standard errors; seeds: those that reached zero loss\n"
        "# frozen_error: the test error of the frozen kernel of the start, which is that of alpha -> infinity\n"
        "alpha [1],seeds [runs],test_error mean [1],test_error stderr [1],t_star mean [tau],t_star stderr [tau],"
        "lambda_star mean [1],lambda_star stderr [1],lambda_max mean [1],lambda_max stderr [1],"
        "frozen_error mean [1],frozen_error stderr [1]\n",
        t.file);
  for (ia = 0; ia < a->alpha_count; ia++) {
    estimate wrong = mean_at(s, ia, ERROR);
    fprintf(t.file, "%.10g,%lu", a->alpha[ia], (unsigned long)wrong.n);
    print_estimate(t.file, wrong);
    print_estimate(t.file, mean_at(s, ia, TIME));
    print_estimate(t.file, mean_at(s, ia, STAR));
    print_estimate(t.file, mean_at(s, ia, MOST));
    print_estimate(t.file, frozen);
    fputc('\n', t.file);
  }
  close_sheet(&t);
}

static void write_verdict(const study *s, const report *r) {
  sheet t = open_sheet(s->a, "alpha_verdict.csv");
  size_t i;
  fprintf(t.file,
          "# agrees: within the tolerance, two standard errors or %g where that is more; 'below': by more than\n",
          floor_of_tolerance);
  fputs("# two standard errors. All values are pure numbers.\n"
        "# tau*: the growth time of the fastest attractor; weights grow as exp(t/tau*), so F as alpha exp(2 t/tau*),\n"
        "# which is 1 at t*/tau = tau*/(2 tau) ln(1/alpha) + constant\n"
        "statement,alpha [1],measured [1],stderr [1],predicted [1],tolerance [1],agrees\n",
        t.file);
  for (i = 0; i < r->n; i++) {
    const statement *q = &r->of[i];
    fprintf(t.file, "\"%s\",%s,%.9g,%.3g,", q->what, q->where, q->measured.mean, q->measured.error);
    if (q->kind == NEAR) fprintf(t.file, "%.6g,%.3g", q->predicted, tolerance(q));
    else if (q->kind == BELOW) fprintf(t.file, "below %.6g,%.3g", q->predicted, 2 * q->measured.error);
    else fputc(',', t.file);
    fprintf(t.file, ",%s\n", verdict(q));
  }
  close_sheet(&t);
}

/* ---- what is shown */

static void show_mean(estimate e, int width) {
  if (e.n > 0) printf(" %*.4g", width, e.mean);
  else printf(" %*s", width, "-");
}

static void show_scan(const study *s) {
  estimate frozen = mean_at(s, s->a->alpha_count, ERROR);
  size_t ia;
  printf("\n%9s %6s %10s %9s %9s %11s\n", "alpha", "seeds", "test error", "t*/tau", "Lambda*", "Lambda_max");
  for (ia = 0; ia < s->a->alpha_count; ia++) {
    estimate wrong = mean_at(s, ia, ERROR);
    printf("%9.3g %6lu", s->a->alpha[ia], (unsigned long)wrong.n);
    show_mean(wrong, 10);
    show_mean(mean_at(s, ia, TIME), 9);
    show_mean(mean_at(s, ia, STAR), 9);
    show_mean(mean_at(s, ia, MOST), 11);
    putchar('\n');
  }
  printf("%9s %6lu", "frozen", (unsigned long)frozen.n);
  show_mean(frozen, 10);
  putchar('\n');
}

static void show_verdict(const report *r) {
  size_t i;
  putchar('\n');
  for (i = 0; i < r->n; i++) {
    const statement *q = &r->of[i];
    printf("%s\n  alpha %s: %.7g +- %.2g", q->what, q->where, q->measured.mean, q->measured.error);
    if (q->kind != OPEN) printf(", predicted %s%.5g: %s", q->kind == BELOW ? "below " : "", q->predicted, verdict(q));
    putchar('\n');
  }
}

/* The runs that do not count, and why. */
static void show_unused(const study *s) {
  size_t is, ia, unused = 0;
  for (is = 0; is < s->a->seeds.count; is++)
    for (ia = 0; ia <= s->a->alpha_count; ia++) {
      const run *r = run_of(s, is, ia);
      if (!r->known || r->done) continue;
      if (unused++ == 0) printf("\nnot used for test error and Lambda_max\n");
      printf("seed %lu, ", (unsigned long)(s->a->seeds.first + is));
      if (is_kernel(s, ia)) printf("frozen kernel: %s\n", r->status);
      else printf("alpha = %g: %s\n", s->a->alpha[ia], r->status);
    }
}

static void start(study *s) {
  size_t i;
  s->fastest = attractor(s);
  s->total = s->a->seeds.count * (s->a->alpha_count + 1);
  s->runs = (run *)calloc(s->total, sizeof(run));
  if (!s->runs) fail("out of memory");
  if (s->path) read_results(s, s->path);
  for (i = 0; i < s->total; i++) s->found += s->runs[i].known != 0;
  if (s->path && s->found < s->total) open_results(s, s->path);
}

int main(int argc, char **argv) {
  invman_context ctx;
  arguments a;
  study s;
  report r;
  char *path = NULL;
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
  if (a.out) {
    if (mkdir(a.out, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", a.out);
    s.path = path = join(a.out, "runs.jsonl", "");
  }
  start(&s);

  printf("stripe, d = %lu, p = %lu, h = %lu; %lu of %lu runs are known\n", (unsigned long)a.d, (unsigned long)a.p,
         (unsigned long)a.h, (unsigned long)s.found, (unsigned long)s.total);
  fflush(stdout);
  signal(SIGINT, interrupt);
  work_all(&s);
  r = statements_of(&s);
  show_scan(&s);
  show_verdict(&r);
  show_unused(&s);
  if (interrupted) printf("\nstopped: %lu of %lu runs are known\n", (unsigned long)s.found, (unsigned long)s.total);
  if (a.out) {
    putchar('\n');
    write_scan(&s);
    write_verdict(&s, &r);
  }
  if (s.file && fclose(s.file) != 0) fail("%s: cannot be written", path);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free(s.runs);
  free(path);
  return 0;
}
