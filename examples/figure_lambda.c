/* Compression against the number of training points: Lambda at t* and the largest Lambda, their exponents beside the
   prediction 1/2, and Lambda in time (Fig. 5 of the paper, and the top of Fig. 7). Runs go to a file as they end; a
   rerun goes on.

   cc -O3 -fopenmp -I.. figure_lambda.c -o figure_lambda -lm
   ./figure_lambda --help */
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
    "figure_lambda - compression against the number of training points, its exponent, and its course in time\n"
    "\n"
    "  figure_lambda [options]\n"
    "\n"
    "  --model M          stripe or cylinder (stripe)\n"
    "  --d N,N,...        inputs (stripe 5, cylinder 3)\n"
    "  --p N,N,...        numbers of training points, increasing (128,256,512,1024)\n"
    "  --seeds A:B        of points and weights, A to B (1:10)\n"
    "  --curve-p N,N,...  those whose Lambda(t) is recorded, of --p or others (none)\n"
    "  --curve-seeds A:B  the seeds it is the mean of (those of --seeds)\n"
    "  --grid G           its times: log, or linear to twice t* (log)\n"
    "  --h N              neurons (1000)\n"
    "  --alpha A          scale of the predictor (1e-6)\n"
    "  --tol X            error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --until-tstar      stop each run at t*: faster, and without Lambda_max\n"
    "  --out DIRECTORY    for the files below, made if need be; without it they are not written\n"
    "  --help, --version\n"
    "\n"
    "  figure_lambda --d 5,10 --p 128,256,512,1024 --curve-p 128,1024 --seeds 1:10 --out lambda\n"
    "  figure_lambda --model cylinder --p 128,512,2048 --seeds 1:49 --until-tstar\n"
    "\n"
    "In DIRECTORY, where tables of the same name are replaced (one for each model, say):\n"
    "  lambda_vs_p.csv       medians and quartiles over the seeds of Lambda*, Lambda_max, t*/tau; tau = h sqrt(d/2)\n"
    "  lambda_exponents.csv  exponents of the medians, with 95 % bootstrap intervals, against the prediction 1/2\n"
    "  lambda_vs_t.csv       the mean Lambda(t); a run that is at rest keeps its Lambda\n"
    "  runs.jsonl            a line of JSON per run, times in the units of t (not of tau); what is there already is\n"
    "                        not computed again. Lines of other settings stay as they are; the torn last line of a\n"
    "                        program that was killed is removed.\n"
    "Training sets are nested: a seed's first points are the same for every p. Ctrl-C ends the runs early: what is\n"
    "known is written, and shown; a second one ends the program.\n"
    "\n"
    "Exit status: 0 done, or Ctrl-C ended it; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_lambda: ", stderr);
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

enum { LIST_MAX = 64, SEEDS_MAX = 100000 };

typedef struct sizes {
  size_t value[LIST_MAX], count;
} sizes;

typedef struct range {
  size_t first, count;
} range;

typedef struct arguments {
  const char *model, *out;
  sizes d, p, curve_p;
  range seeds, curve_seeds;
  size_t d_par, h;
  double alpha, tol;
  int kind, until_tstar, linear;
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

static sizes parse_list(const char *flag, const char *text) {
  char value[32];
  sizes l;
  for (l.count = 0; text; l.count++) {
    if (l.count == LIST_MAX) fail("%s: more than %d values", flag, (int)LIST_MAX);
    text = next_value(flag, text, ',', value);
    l.value[l.count] = whole_number(flag, value, 1);
    if (l.count > 0 && l.value[l.count] <= l.value[l.count - 1]) fail("%s: the values must increase", flag);
  }
  return l;
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
  a->model = "stripe";
  a->h = 1000;
  a->alpha = 1e-6;
  a->tol = 0.1;
  a->p = parse_list("--p", "128,256,512,1024");
  a->seeds = parse_seeds("--seeds", "1:10");
}

static void set_model(arguments *a) {
  if (!strcmp(a->model, "cylinder")) a->kind = INVMAN_CYLINDER;
  else if (!strcmp(a->model, "stripe")) a->kind = INVMAN_STRIPE;
  else fail("--model: '%s' is neither stripe nor cylinder", a->model);
  a->d_par = a->kind == INVMAN_CYLINDER ? 2 : 1;
  if (a->d.count == 0) a->d = parse_list("--d", a->kind == INVMAN_CYLINDER ? "3" : "5");
  if (a->d.value[0] <= a->d_par) fail("--d must be at least %lu", (unsigned long)(a->d_par + 1));
  if (a->curve_seeds.count == 0) a->curve_seeds = a->seeds;
}

static void parse_grid(const char *flag, const char *value, arguments *a) {
  a->linear = !strcmp(value, "linear");
  if (!a->linear && strcmp(value, "log")) fail("%s: '%s' is neither log nor linear", flag, value);
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
      printf("figure_lambda, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!strcmp(flag, "--until-tstar")) {
      a->until_tstar = 1;
      continue;
    }
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    i++;
    if (!strcmp(flag, "--model")) a->model = value;
    else if (!strcmp(flag, "--out")) a->out = value;
    else if (!strcmp(flag, "--d")) a->d = parse_list(flag, value);
    else if (!strcmp(flag, "--p")) a->p = parse_list(flag, value);
    else if (!strcmp(flag, "--seeds")) a->seeds = parse_seeds(flag, value);
    else if (!strcmp(flag, "--curve-p")) a->curve_p = parse_list(flag, value);
    else if (!strcmp(flag, "--curve-seeds")) a->curve_seeds = parse_seeds(flag, value);
    else if (!strcmp(flag, "--grid")) parse_grid(flag, value, a);
    else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
    else if (!strcmp(flag, "--tol")) {
      a->tol = positive_number(flag, value);
      if (a->tol > 1) fail("--tol must be at most 1");
    } else fail("%s: unknown option; see --help", flag);
  }
  if (a->out && !*a->out) fail("--out: the name is empty");
  set_model(a);
}

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- the runs */

/* Lambda in time, as finely as `step` says: a point wherever t or Lambda has changed by that share. */
enum { CURVE_MAX = 2000 };
typedef struct curve {
  size_t n;
  double step, *t, *lambda; /* (CURVE_MAX) */
} curve;

typedef struct run {
  size_t d, p, seed;
  int table, curved;          /* what it is for: the medians, the mean Lambda(t) */
  int known, done, whole;     /* done: to zero loss, or to t* where that is the end; whole: to its end */
  double t_star, lambda_star; /* below 0: there is none */
  double lambda_max, t_end;
  char status[96];
  curve curve;
} run;

typedef struct study {
  const invman_context *ctx;
  const arguments *a;
  const char *path; /* of the runs' file; NULL: none */
  FILE *file;
  long torn;      /* where its last line begins, if that is torn; else -1 */
  int open_ended; /* its last line is whole, but for the line's end */
  run *runs;
  size_t total, found;
  int terminal;
  double shown, began, work, worked; /* work: of the runs not known at the start, in units of d p */
  double lambda;
  char doing[96];
} study;

static int is_in(const sizes *l, size_t value) {
  size_t i;
  for (i = 0; i < l->count && l->value[i] != value; i++) continue;
  return i < l->count;
}

static int is_within(const range *r, size_t value) { return value >= r->first && value - r->first < r->count; }

/* Both lists as one, increasing. */
static size_t merge(const sizes *a, const sizes *b, size_t merged[2 * LIST_MAX]) {
  size_t i = 0, j = 0, n = 0;
  while (i < a->count || j < b->count) {
    int from_a = j == b->count || (i < a->count && a->value[i] <= b->value[j]);
    merged[n] = from_a ? a->value[i++] : b->value[j++];
    if (n == 0 || merged[n] != merged[n - 1]) n++;
  }
  return n;
}

static void plan_seed(study *s, size_t seed, const size_t *p, size_t p_count) {
  const arguments *a = s->a;
  size_t id, ip;
  for (id = 0; id < a->d.count; id++)
    for (ip = 0; ip < p_count; ip++) {
      run *r = &s->runs[s->total];
      memset(r, 0, sizeof *r);
      r->d = a->d.value[id];
      r->p = p[ip];
      r->seed = seed;
      r->table = is_in(&a->p, p[ip]) && is_within(&a->seeds, seed);
      r->curved = is_in(&a->curve_p, p[ip]) && is_within(&a->curve_seeds, seed);
      s->total += r->table || r->curved;
    }
}

/* All runs that are wanted, seed by seed: after the first seed something is known of every p. */
static void plan(study *s) {
  const arguments *a = s->a;
  size_t p[2 * LIST_MAX], p_count = merge(&a->p, &a->curve_p, p), i;
  s->runs = (run *)calloc((a->seeds.count + a->curve_seeds.count) * a->d.count * p_count + 1, sizeof(run));
  if (!s->runs) fail("out of memory");
  for (i = 0; i < a->seeds.count; i++) plan_seed(s, a->seeds.first + i, p, p_count);
  for (i = 0; i < a->curve_seeds.count; i++)
    if (!is_within(&a->seeds, a->curve_seeds.first + i)) plan_seed(s, a->curve_seeds.first + i, p, p_count);
}

static double tau_of(const study *s, size_t d) { return (double)s->a->h * sqrt(0.5 * (double)d); }

static void curve_begin(curve *c) {
  c->n = 0;
  c->step = 0.01;
  c->t = numbers(CURVE_MAX, 1);
  c->lambda = numbers(CURVE_MAX, 1);
}

static void curve_free(curve *c) {
  free(c->t);
  free(c->lambda);
  memset(c, 0, sizeof *c);
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
  if (c->n > 0 && t <= (1 + 1e-8) * c->t[c->n - 1]) return; /* the same in nine digits */
  if (c->n > 0 && !always && t < (1 + c->step) * c->t[c->n - 1] && fabs(log(lambda / c->lambda[c->n - 1])) < c->step)
    return;
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

/* Returns 0 where the line holds none. */
static int field_curve(const char *line, curve *c) {
  size_t i;
  curve_begin(c);
  c->n = field_array(line, "curve_t", c->t, CURVE_MAX);
  if (c->n < 2 || field_array(line, "curve_lambda", c->lambda, CURVE_MAX) != c->n) c->n = 0;
  for (i = 0; i < c->n; i++)
    if (!(c->lambda[i] > 0) || (i > 0 && !(c->t[i] > c->t[i - 1]))) c->n = 0;
  if (c->n == 0) curve_free(c);
  return c->n > 0;
}

/* The wanted run that a line is of, NULL: none. */
static run *place(const study *s, const char *line) {
  double d, p, seed;
  size_t i;
  if (!field_is(line, "program", "figure_lambda") || !field_is(line, "model", s->a->model) ||
      !field_equals(line, "h", (double)s->a->h) || !field_equals(line, "alpha", s->a->alpha) ||
      !field_equals(line, "tol", s->a->tol) || !field_number(line, "d", 0, &d) || !field_number(line, "p", 0, &p) ||
      !field_number(line, "seed", 0, &seed))
    return NULL;
  for (i = 0; i < s->total; i++)
    if ((double)s->runs[i].d == d && (double)s->runs[i].p == p && (double)s->runs[i].seed == seed) return &s->runs[i];
  return NULL;
}

static void set_status(run *r, const char *status, size_t length) {
  if (length >= sizeof r->status) length = sizeof r->status - 1;
  memcpy(r->status, status, length);
  r->status[length] = 0;
}

static const char at_t_star[] = "stopped at t*";

/* What the status says of the run. */
static void judge(run *r) {
  r->known = 1;
  r->whole = strcmp(r->status, at_t_star) != 0;
  r->done = !r->whole || !strcmp(r->status, invman_status_string(INVMAN_OK));
}

/* Takes over a line of the file, where it is a run of this study that is not known yet. A run to the end is good for
   what is asked to stop at t*, and one with a curve for one without. */
static void take_line(study *s, const char *line) {
  run *r = place(s, line), q;
  const char *status = field(line, "status");
  if (!r || r->known || !status || *status != '"') return;
  q = *r;
  if (!field_number(line, "t_star", -1, &q.t_star) || !field_number(line, "lambda_star", -1, &q.lambda_star) ||
      !field_number(line, "lambda_max", -1, &q.lambda_max) || !field_number(line, "t_end", -1, &q.t_end))
    return;
  set_status(&q, status + 1, strcspn(status + 1, "\""));
  judge(&q);
  if (!q.whole && !s->a->until_tstar) return;
  if (q.curved && q.done && !field_curve(line, &q.curve)) return;
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

enum { LINE_BYTES = 1024 + 64 * CURVE_MAX }; /* of a run with its curve */

/* Before the long work: to append, behind what is whole. */
static void open_results(study *s, const char *path) {
  s->file = fopen(path, "ab");
  if (!s->file) fail("%s: cannot be written", path);
  setvbuf(s->file, NULL, _IOFBF, LINE_BYTES); /* more than a line */
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

static char *put_array(char *at, const char *name, const double *values, size_t n) {
  size_t i;
  at += sprintf(at, ", \"%s\": [", name);
  for (i = 0; i < n; i++) at += sprintf(at, "%s%.9g", i > 0 ? ", " : "", values[i]);
  return at + sprintf(at, "]");
}

/* Now it is known: in the file by one write, so that no line is ever torn but by a crash of the system. */
static void record(study *s, const run *r) {
  char line[1024] = "", *all, *at;
  size_t length;
  s->found++;
  if (!s->file) return;
  add(line, "%slambda\", \"model\": \"%s\", \"d\": %lu, \"h\": %lu", line_begin, s->a->model, (unsigned long)r->d,
      (unsigned long)s->a->h);
  add_number(line, "alpha", s->a->alpha, 1);
  add_number(line, "tol", s->a->tol, 1);
  add(line, ", \"p\": %lu, \"seed\": %lu", (unsigned long)r->p, (unsigned long)r->seed);
  add_number(line, "t_star", r->t_star, r->t_star >= 0);
  add_number(line, "lambda_star", r->lambda_star, r->lambda_star >= 0);
  add_number(line, "lambda_max", r->lambda_max, r->lambda_max >= 0);
  add_number(line, "t_end", r->t_end, r->t_end >= 0);
  add(line, ", \"status\": \"%s\"", r->status);
  all = (char *)malloc(LINE_BYTES);
  if (!all) fail("out of memory");
  length = strlen(line);
  memcpy(all, line, length);
  at = all + length;
  if (r->curve.n > 0) {
    at = put_array(at, "curve_t", r->curve.t, r->curve.n);
    at = put_array(at, "curve_lambda", r->curve.lambda, r->curve.n);
  }
  at += sprintf(at, "}\n");
  length = (size_t)(at - all);
  if (fwrite(all, 1, length, s->file) != length || fflush(s->file) != 0) fail("%s: cannot be written", s->path);
  free(all);
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
  (void)done;
  if (s->terminal && seconds() - s->shown > 0.1) {
    s->shown = seconds();
    fprintf(stderr, "\r%lu of %lu known; %-28s Lambda %-7.4g %-11s", (unsigned long)s->found, (unsigned long)s->total,
            s->doing, s->lambda, time_left(s, left));
    fflush(stderr);
  }
  return interrupted != 0;
}

typedef struct monitor {
  study *s;
  curve *curve; /* NULL: not wanted */
} monitor;

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  const monitor *m = (const monitor *)user;
  (void)net;
  m->s->lambda = info->lambda;
  if (m->curve) curve_add(m->curve, info->t, info->lambda, info->end != INVMAN_END_NONE);
  return m->s->a->until_tstar && info->t_star > 0;
}

/* ---- a run */

static int one_label(const invman_data *data) {
  size_t i;
  for (i = 1; i < data->n; i++)
    if (data->y[i] != data->y[0]) return 0;
  return 1;
}

static void draw(const study *s, const run *r, invman_data *points, invman_net *net) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = s->a->kind;
  model.d = r->d;
  invman_rng_seed(&rng, r->seed, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(s->ctx, &model, r->p, &rng, points), "points");
  invman_rng_seed(&rng, r->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(s->ctx, s->a->h, r->d, &rng, net), "network");
}

static void take_info(const study *s, const invman_flow_info *info, run *r) {
  const char *status = invman_status_string(info->status);
  int stopped = info->end == INVMAN_END_REPORT;
  if (info->end == INVMAN_END_PROGRESS) return; /* Ctrl-C: not known */
  r->t_end = info->t;
  if (info->t_star > 0) {
    r->t_star = info->t_star;
    r->lambda_star = info->lambda_star;
  }
  if (!s->a->until_tstar) r->lambda_max = info->lambda_max;
  if (stopped) status = at_t_star;
  set_status(r, status, strlen(status));
  judge(r);
}

static void train(study *s, const invman_data *points, invman_net *net, run *r) {
  invman_flow_options options;
  invman_flow *flow;
  monitor m;
  memset(&options, 0, sizeof options);
  options.alpha = s->a->alpha;
  options.rotation_tol = options.margin_tol = s->a->tol;
  options.d_par = s->a->d_par;
  options.report = report;
  options.user = &m;
  m.s = s;
  m.curve = r->curved ? &r->curve : NULL;
  s->lambda = invman_amplification(net, s->a->d_par);
  if (r->curved) {
    curve_begin(&r->curve);
    curve_add(&r->curve, 0, s->lambda, 1);
  }
  check(invman_flow_create(s->ctx, net, points, &options, &flow), "training");
  check(invman_flow_run(flow), "training");
  if (r->curved) curve_add(&r->curve, invman_flow_get_info(flow)->t, s->lambda, 1);
  take_info(s, invman_flow_get_info(flow), r);
  invman_flow_free(flow);
}

static void work(study *s, run *r) {
  static const char one[] = "all labels are equal";
  invman_data points;
  invman_net net;
  snprintf(s->doing, sizeof s->doing, "d = %lu, p = %lu, seed %lu", (unsigned long)r->d, (unsigned long)r->p,
           (unsigned long)r->seed);
  r->t_star = r->lambda_star = r->lambda_max = r->t_end = -1;
  draw(s, r, &points, &net);
  if (one_label(&points)) {
    set_status(r, one, strlen(one));
    judge(r);
  } else {
    train(s, &points, &net, r);
  }
  if (r->known) record(s, r);
  s->worked += (double)r->d * (double)r->p;
  invman_net_free(s->ctx, &net);
  invman_data_free(s->ctx, &points);
}

static void work_all(study *s) {
  size_t i;
  for (i = 0; i < s->total; i++)
    if (!s->runs[i].known) s->work += (double)s->runs[i].d * (double)s->runs[i].p;
  s->began = seconds();
  for (i = 0; i < s->total && !interrupted; i++)
    if (!s->runs[i].known) work(s, &s->runs[i]);
  if (s->terminal) fprintf(stderr, "\r%79s\r", "");
}

/* ---- what comes of them */

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

enum { STAR, MAX, TIME, QUANTITIES };
static const char *const quantity_names[QUANTITIES] = {"lambda_star", "lambda_max", "t_star"};

/* One of them, NaN where the run has none. */
static double value_of(const study *s, const run *r, int quantity) {
  const double none = (double)NAN;
  if (!r->known) return none;
  if (quantity == STAR) return r->t_star > 0 ? r->lambda_star : none;
  if (quantity == TIME) return r->t_star > 0 ? r->t_star / tau_of(s, r->d) : none;
  return r->done && r->whole && !s->a->until_tstar && r->lambda_max > 0 ? r->lambda_max : none;
}

/* The values of all seeds, in their order; returns how many are not NaN. */
static size_t gather(const study *s, size_t d, size_t p, int quantity, double *values) {
  size_t i, n = 0, there = 0;
  for (i = 0; i < s->total; i++) {
    const run *r = &s->runs[i];
    if (!r->table || r->d != d || r->p != p) continue;
    values[n] = value_of(s, r, quantity);
    there += isnan(values[n]) ? 0 : 1;
    n++;
  }
  return there;
}

typedef struct summary {
  size_t n;
  double median, low, high; /* low, high: the quartiles */
} summary;

static summary summarise(const study *s, size_t d, size_t p, int quantity) {
  double *values = numbers(s->a->seeds.count, 1);
  size_t i, n = 0;
  summary m;
  memset(&m, 0, sizeof m);
  m.n = gather(s, d, p, quantity, values);
  for (i = 0; i < s->a->seeds.count; i++)
    if (!isnan(values[i])) values[n++] = values[i];
  if (n > 0) {
    qsort(values, n, sizeof *values, smaller_first);
    m.median = quantile(values, n, 0.5);
    m.low = quantile(values, n, 0.25);
    m.high = quantile(values, n, 0.75);
  }
  free(values);
  return m;
}

/* The exponent of the medians in p. */
typedef struct fit {
  size_t n; /* of values of p; below 2 there is no exponent */
  double exponent, interval[2], slope[LIST_MAX];
  double outside; /* how far from 1/2 the interval is, 0: it holds it */
  int nearer;     /* the local slopes come nearer to 1/2 with every p */
} fit;

static const double predicted = 0.5;

static void judge_fit(fit *f) {
  size_t i;
  f->outside = predicted < f->interval[0]   ? f->interval[0] - predicted
               : predicted > f->interval[1] ? predicted - f->interval[1]
                                            : 0;
  f->nearer = 1;
  for (i = 0; i + 2 < f->n; i++) f->nearer &= fabs(f->slope[i + 1] - predicted) <= fabs(f->slope[i] - predicted);
}

static fit fit_medians(const study *s, size_t d, int quantity) {
  const arguments *a = s->a;
  double p[LIST_MAX], median[LIST_MAX], *values = numbers(a->p.count, a->seeds.count);
  size_t ip;
  invman_rng rng;
  fit f;
  memset(&f, 0, sizeof f);
  for (ip = 0; ip < a->p.count; ip++) {
    summary m = summarise(s, d, a->p.value[ip], quantity);
    if (m.n == 0) continue;
    gather(s, d, a->p.value[ip], quantity, values + f.n * a->seeds.count);
    p[f.n] = (double)a->p.value[ip];
    median[f.n++] = m.median;
  }
  for (ip = 0; ip + 1 < f.n; ip++) f.slope[ip] = log(median[ip + 1] / median[ip]) / log(p[ip + 1] / p[ip]);
  if (f.n > 1) {
    invman_rng_seed(&rng, 1, 5);
    check(invman_median_power_law(s->ctx, p, values, f.n, a->seeds.count, 0, &rng, &f.exponent, f.interval),
          quantity_names[quantity]);
    judge_fit(&f);
  }
  free(values);
  return f;
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

static void print_list(FILE *file, const char *name, const sizes *l) {
  size_t i;
  fprintf(file, "# %s =", name);
  for (i = 0; i < l->count; i++) fprintf(file, "%s%lu", i > 0 ? "," : " ", (unsigned long)l->value[i]);
  fputc('\n', file);
}

static void print_range(FILE *file, const char *name, const range *r) {
  fprintf(file, "# %s = %lu:%lu\n", name, (unsigned long)r->first, (unsigned long)(r->first + r->count - 1));
}

static void print_parameters(FILE *file, const arguments *a) {
  fprintf(file, "# figure_lambda, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
          INVMAN_VERSION_PATCH);
  fprintf(file, "# model = %s\n# d_par = %lu\n", a->model, (unsigned long)a->d_par);
  print_list(file, "d", &a->d);
  print_list(file, "p", &a->p);
  print_range(file, "seeds", &a->seeds);
  if (a->curve_p.count > 0) {
    print_list(file, "curve_p", &a->curve_p);
    print_range(file, "curve_seeds", &a->curve_seeds);
  }
  fprintf(file, "# h = %lu\n# alpha = %g\n# tol = %g\n# runs end = %s\n", (unsigned long)a->h, a->alpha, a->tol,
          a->until_tstar ? "at t*" : "at zero loss");
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

static void print_summary(FILE *file, const summary *m) {
  if (m->n > 0) fprintf(file, ",%.6g,%.6g,%.6g", m->median, m->low, m->high);
  else fputs(",,,", file);
}

static void write_lambda_vs_p(const study *s) {
  const arguments *a = s->a;
  sheet t = open_sheet(a, "lambda_vs_p.csv");
  size_t id, ip;
  fputs("# medians over the seeds, with first and third quartile; seeds: those with a Lambda*, and with a Lambda_max\n"
        "model,d [1],p [points],seeds [runs],lambda_star median [1],lambda_star q1 [1],lambda_star q3 [1],"
        "seeds_max [runs],lambda_max median [1],lambda_max q1 [1],lambda_max q3 [1],"
        "t_star median [tau],t_star q1 [tau],t_star q3 [tau]\n",
        t.file);
  for (id = 0; id < a->d.count; id++)
    for (ip = 0; ip < a->p.count; ip++) {
      size_t d = a->d.value[id], p = a->p.value[ip];
      summary star = summarise(s, d, p, STAR), most = summarise(s, d, p, MAX), time = summarise(s, d, p, TIME);
      fprintf(t.file, "%s,%lu,%lu,%lu", a->model, (unsigned long)d, (unsigned long)p, (unsigned long)star.n);
      print_summary(t.file, &star);
      fprintf(t.file, ",%lu", (unsigned long)most.n);
      print_summary(t.file, &most);
      print_summary(t.file, &time);
      fputc('\n', t.file);
    }
  close_sheet(&t);
}

static void print_verdict(FILE *file, const fit *f) {
  if (f->n < 2) fputs("too few p", file);
  else if (f->outside > 0) fprintf(file, "outside by %.3f", f->outside);
  else fputs("inside", file);
}

static const char *approach(const fit *f) { return f->n < 3 ? "too few p" : f->nearer ? "yes" : "no"; }

static void write_exponents(const study *s) {
  const arguments *a = s->a;
  sheet t = open_sheet(a, "lambda_exponents.csv");
  size_t id, i;
  int quantity;
  fputs("# exponent: of the medians in p, by least squares of the logarithms; interval: 95 %, from resampled seeds\n"
        "# local slopes: between one p and the next; approach: does their distance to the prediction never grow?\n"
        "# verdict: is the prediction in the interval, and how far outside if not\n"
        "model,d [1],quantity,predicted [1],exponent [1],interval low [1],interval high [1],local slopes [1],verdict,"
        "approach\n",
        t.file);
  for (id = 0; id < a->d.count; id++)
    for (quantity = STAR; quantity <= MAX; quantity++) {
      fit f = fit_medians(s, a->d.value[id], quantity);
      fprintf(t.file, "%s,%lu,%s,%g,", a->model, (unsigned long)a->d.value[id], quantity_names[quantity], predicted);
      if (f.n > 1) fprintf(t.file, "%.4f,%.4f,%.4f,", f.exponent, f.interval[0], f.interval[1]);
      else fputs(",,,", t.file);
      for (i = 0; i + 1 < f.n; i++) fprintf(t.file, "%s%.3f", i > 0 ? " " : "", f.slope[i]);
      fputc(',', t.file);
      print_verdict(t.file, &f);
      fprintf(t.file, ",%s\n", approach(&f));
    }
  close_sheet(&t);
}

/* ---- Lambda in time */

/* The runs of one d and p that the mean is taken over. */
typedef struct bundle {
  const run *const *runs;
  size_t n;
  double t_star;      /* mean, in tau; below 0 where one has none */
  double last, until; /* when the last of them ends; until when all are known (a run at rest is, for ever); in tau */
} bundle;

static bundle collect(const study *s, size_t d, size_t p, const run **runs) {
  double tau = tau_of(s, d);
  size_t i;
  bundle b;
  memset(&b, 0, sizeof b);
  b.runs = runs;
  b.until = DBL_MAX;
  for (i = 0; i < s->total; i++) {
    const run *r = &s->runs[i];
    if (!r->known || !r->done || r->curve.n == 0 || r->d != d || r->p != p) continue;
    runs[b.n++] = r;
    b.last = r->t_end / tau > b.last ? r->t_end / tau : b.last;
    if (!r->whole && r->t_end / tau < b.until) b.until = r->t_end / tau;
    b.t_star = b.t_star < 0 || r->t_star < 0 ? -1 : b.t_star + r->t_star / tau;
  }
  if (b.n > 0 && b.t_star > 0) b.t_star /= (double)b.n;
  return b;
}

/* Row k of the common grid, in tau: 25 a decade from 0.1 on, or 200 to twice the latest t*. */
static double grid_time(const study *s, size_t k, double t_star) {
  return s->a->linear ? 2 * t_star * (double)k / 200 : 0.1 * pow(10, (double)k / 25);
}

static void print_curve(const study *s, FILE *file, const bundle *b, double latest) {
  double tau = tau_of(s, b->runs[0]->d), t = 0;
  size_t k, i;
  for (k = 0; t < b->last && (!s->a->linear || k <= 200); k++) {
    double sum = 0;
    t = grid_time(s, k, latest);
    if (t > b->until) break;
    for (i = 0; i < b->n; i++) sum += curve_at(&b->runs[i]->curve, t * tau);
    fprintf(file, "%s,%lu,%lu,%.6g,%.6g,%lu,", s->a->model, (unsigned long)b->runs[0]->d, (unsigned long)b->runs[0]->p,
            t, sum / (double)b->n, (unsigned long)b->n);
    if (b->t_star > 0) fprintf(file, "%.6g", b->t_star);
    fputc('\n', file);
  }
}

static void write_lambda_vs_t(const study *s) {
  const arguments *a = s->a;
  sheet t = open_sheet(a, "lambda_vs_t.csv");
  const run **runs = (const run **)malloc((s->total + 1) * sizeof *runs);
  double latest = 0;
  size_t id, ip, pass;
  if (!runs) fail("out of memory");
  fputs("# the mean over the seeds on a grid of times that all curves share, ln Lambda being linear between steps;\n"
        "# a run at rest keeps its Lambda; where runs end at t*, a curve ends with the first of them\n"
        "model,d [1],p [points],t [tau],lambda mean [1],seeds [runs],t_star mean [tau]\n",
        t.file);
  for (pass = 0; pass < 2; pass++) /* the latest t*, then the rows */
    for (id = 0; id < a->d.count; id++)
      for (ip = 0; ip < a->curve_p.count; ip++) {
        bundle b = collect(s, a->d.value[id], a->curve_p.value[ip], runs);
        if (b.n > 0 && pass > 0) print_curve(s, t.file, &b, latest);
        if (b.t_star > latest) latest = b.t_star;
      }
  free(runs);
  close_sheet(&t);
}

/* ---- what is shown */

static void show_medians(const study *s, size_t d) {
  const arguments *a = s->a;
  size_t ip;
  printf("\nd = %lu, medians\n%8s %6s %9s %11s %9s\n", (unsigned long)d, "p", "seeds", "Lambda*", "Lambda_max",
         "t*/tau");
  for (ip = 0; ip < a->p.count; ip++) {
    summary star = summarise(s, d, a->p.value[ip], STAR), most = summarise(s, d, a->p.value[ip], MAX);
    summary time = summarise(s, d, a->p.value[ip], TIME);
    printf("%8lu %6lu ", (unsigned long)a->p.value[ip], (unsigned long)star.n);
    if (star.n > 0) printf("%9.4g ", star.median);
    else printf("%9s ", "-");
    if (most.n > 0) printf("%11.4g ", most.median);
    else printf("%11s ", "-");
    if (time.n > 0) printf("%9.4g\n", time.median);
    else printf("%9s\n", "-");
  }
}

static void show_fit(const study *s, size_t d, int quantity) {
  fit f = fit_medians(s, d, quantity);
  size_t i;
  if (f.n < 2) return;
  printf("%-11s exponent %.3f, 95 %% interval %.3f to %.3f, predicted %g: ", quantity_names[quantity], f.exponent,
         f.interval[0], f.interval[1], predicted);
  print_verdict(stdout, &f);
  printf("\n%-11s local slopes", "");
  for (i = 0; i + 1 < f.n; i++) printf(" %.3f", f.slope[i]);
  if (f.n > 2) printf("; ever nearer: %s", approach(&f));
  putchar('\n');
}

/* The runs that do not count, and why. */
static void show_unused(const study *s) {
  size_t i, unused = 0;
  for (i = 0; i < s->total; i++) {
    const run *r = &s->runs[i];
    if (!r->known || (r->done && r->t_star > 0)) continue;
    if (unused++ == 0) printf("\nnot used, or not for Lambda_max\n");
    printf("d = %lu, p = %lu, seed %lu: %s%s\n", (unsigned long)r->d, (unsigned long)r->p, (unsigned long)r->seed,
           r->status, r->t_star > 0 ? "" : "; t* was not reached");
  }
}

static void show(const study *s) {
  size_t id;
  for (id = 0; id < s->a->d.count; id++) {
    show_medians(s, s->a->d.value[id]);
    show_fit(s, s->a->d.value[id], STAR);
    show_fit(s, s->a->d.value[id], MAX);
  }
  show_unused(s);
}

static void write_tables(const study *s) {
  putchar('\n');
  write_lambda_vs_p(s);
  write_exponents(s);
  if (s->a->curve_p.count > 0) write_lambda_vs_t(s);
}

int main(int argc, char **argv) {
  invman_context ctx;
  arguments a;
  study s;
  char *path = NULL;
  size_t i;
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
  plan(&s);
  if (a.out) {
    if (mkdir(a.out, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", a.out);
    s.path = path = join(a.out, "runs.jsonl", "");
    read_results(&s, path);
  }
  for (i = 0; i < s.total; i++) s.found += s.runs[i].known != 0;
  if (a.out && s.found < s.total) open_results(&s, path);

  printf("%s, h = %lu, alpha = %g; %lu of %lu runs are known\n", a.model, (unsigned long)a.h, a.alpha,
         (unsigned long)s.found, (unsigned long)s.total);
  fflush(stdout);
  signal(SIGINT, interrupt);
  work_all(&s);
  show(&s);
  if (interrupted) printf("\nstopped: %lu of %lu runs are known\n", (unsigned long)s.found, (unsigned long)s.total);
  if (a.out) write_tables(&s);
  if (s.file && fclose(s.file) != 0) fail("%s: cannot be written", path);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  for (i = 0; i < s.total; i++) curve_free(&s.runs[i].curve);
  free(s.runs);
  free(path);
  return 0;
}
