/* Figure 4: how a network that has found the direction that matters fits the stripe: what it predicts along x_1 at
   three times, where its neurons are, and the loss and the test error in time.

   cc -O2 -fopenmp -I.. figure_fit.c -o figure_fit -lm
   ./figure_fit --out DIRECTORY */
#define _POSIX_C_SOURCE 200809L /* fileno, isatty, mkdir */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#ifdef _WIN32
#include <direct.h>
#include <io.h>
#define isatty            _isatty
#define fileno            _fileno
#define mkdir(path, mode) _mkdir(path)
#else
#include <sys/stat.h>
#include <unistd.h>
#endif

static const char help[] =
    "figure_fit - the predictor along x_1 and the neurons of a network that learns the stripe, at three times\n"
    "\n"
    "  figure_fit [options]\n"
    "\n"
    "  --d N            inputs (2)\n"
    "  --p N            training points (10000)\n"
    "  --h N            neurons (1000)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N         of points and weights (1)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --test-size N    test points (10000)\n"
    "  --middle X       the second time is when the loss has fallen to this; the first is t*, the third the end (0.1)\n"
    "  --t-max T        end at this time, in units of tau = h sqrt(d/2) (none)\n"
    "  --out DIRECTORY  where the files go, made if need be (.)\n"
    "  --help, --version\n"
    "\n"
    "  predictor.csv    F along x_1, the other inputs 0, at the three times\n"
    "  zeta.csv         where every neuron's kink crosses the x_1 axis, and |beta| |omega|, at the three times\n"
    "  curves.csv       loss, test error and Lambda in time\n"
    "  times.csv        the three times\n"
    "\n"
    "  figure_fit --p 10000 --h 1000\n"
    "  gnuplot -e \"dir='.'; out='fit.svg'\" figures/fit.gp\n"
    "\n"
    "Exit status: 0 done; 1 interrupted, nothing is written, or t* was not reached; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_fit: ", stderr);
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

static void *take(size_t count, size_t size) {
  void *block = calloc(count > 0 ? count : 1, size);
  if (!block) fail("out of memory");
  return block;
}

/* ---- the command line */

typedef struct arguments {
  const char *out;
  size_t d, p, h, seed, test_size;
  double alpha, tol, middle, t_max, tau;
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

static void fill_defaults(arguments *a) {
  a->out = ".";
  a->d = 2;
  a->p = 10000;
  a->h = 1000;
  a->seed = 1;
  a->test_size = 10000;
  a->alpha = 1e-6;
  a->tol = 0.1;
  a->middle = 0.1;
}

static void set(arguments *a, const char *flag, const char *value) {
  if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 2);
  else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
  else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--middle")) a->middle = positive_number(flag, value);
  else if (!strcmp(flag, "--t-max")) a->t_max = positive_number(flag, value);
  else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
  else if (!strcmp(flag, "--tol")) {
    a->tol = positive_number(flag, value);
    if (a->tol > 1) fail("--tol must be at most 1");
  } else fail("%s: unknown option; see --help", flag);
}

static void finish(arguments *a) { a->tau = (double)a->h * sqrt((double)a->d / 2); }

static void parse(int argc, char **argv, arguments *a) {
  int i;
  memset(a, 0, sizeof *a);
  fill_defaults(a);
  for (i = 1; i < argc; i += 2) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("figure_fit, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    set(a, flag, value);
  }
  finish(a);
}

/* The command that makes the file again, and the version that made it. */
static void print_parameters(FILE *file, const arguments *a) {
  fprintf(file,
          "# figure_fit --d %lu --p %lu --h %lu --alpha %.15g --seed %lu --tol %.15g --test-size %lu --middle %.15g",
          (unsigned long)a->d, (unsigned long)a->p, (unsigned long)a->h, a->alpha, (unsigned long)a->seed, a->tol,
          (unsigned long)a->test_size, a->middle);
  if (a->t_max > 0) fprintf(file, " --t-max %.15g", a->t_max);
  fprintf(file, "\n# invman.h %d.%d.%d; stripe -0.3 < x_1 < %.15g; hinge loss; tau = h sqrt(d/2) = %.9g\n",
          INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, invman_equiprobable_x_max(-0.3), a->tau);
}

/* ---- files: whole, or not there */

static char *path_of(const char *directory, const char *name, const char *tail) {
  size_t length = strlen(directory) + strlen(name) + strlen(tail) + 2;
  char *path = (char *)take(length, 1);
  snprintf(path, length, "%s/%s%s", directory, name, tail);
  return path;
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

/* The directory is made if need be. */
static void check_all_writable(const char *directory, const char *const *names, size_t count) {
  size_t i;
  if (mkdir(directory, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", directory);
  for (i = 0; i < count; i++) {
    char *path = path_of(directory, names[i], "");
    check_writable(path);
    free(path);
  }
}

typedef struct table {
  FILE *file;
  char *path, *temporary;
} table;

/* A file NAME in the directory --out; its first lines say how it was made, the next one, `about`, what it holds. */
static table begin_table(const arguments *a, const char *name, const char *about) {
  table t;
  t.path = path_of(a->out, name, "");
  t.temporary = path_of(a->out, name, ".tmp");
  t.file = fopen(t.temporary, "wb");
  if (!t.file) fail("%s: cannot be created", t.path);
  print_parameters(t.file, a);
  fprintf(t.file, "# %s\n", about);
  return t;
}

static void end_table(table *t) {
  int bad = ferror(t->file) != 0;
  bad |= fclose(t->file) != 0;
#ifdef _WIN32
  if (!bad) remove(t->path);
#endif
  if (bad || rename(t->temporary, t->path) != 0) {
    remove(t->temporary);
    fail("%s: cannot be written", t->path);
  }
  printf("%-12s %s\n", "written", t->path);
  free(t->temporary);
  free(t->path);
}

static void print_values(FILE *file, const double *v, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) fprintf(file, ",%.9g", v[i]);
}

/* ---- the run */

static volatile sig_atomic_t interrupted;
static void interrupt(int number) { /* the first one ends the run, the second one the program */
  interrupted = 1;
  signal(number, SIG_DFL);
}

static int stop_if_interrupted(const char *stage, double done, void *user) {
  (void)stage;
  (void)done;
  (void)user;
  return interrupted != 0;
}

static void show_progress(const invman_flow_info *info, size_t p, double tau) {
  fprintf(stderr, "\r%5.1f %% satisfied   t/tau %-10.4g Lambda %-8.4g",
          100 - 100 * (double)info->unsatisfied / (double)p, info->t / tau, info->lambda);
  fflush(stderr);
}

/* ---- what is noted */

enum { TSTAR, MIDDLE, END, STAGES, GRID = 601, MEASURES = 4 };
static const char *const stage_name[STAGES] = {"tstar", "middle", "end"};

typedef struct snapshot {
  int taken;
  double measure[MEASURES]; /* t/tau, loss, test error, Lambda */
  double F[GRID];           /* from x_1 = -3 to 3 */
  double *zeta, *weight;    /* (h) each */
} snapshot;

typedef struct monitor {
  const arguments *a;
  const invman_flow *flow;
  snapshot stage[STAGES];
  double *curve; /* (steps, MEASURES) */
  size_t steps, capacity;
  int terminal;
} monitor;

static double grid_point(size_t i) { return ((double)i - (GRID - 1) / 2) / 100; }

static void measure(const monitor *m, const invman_flow_info *info, double *out) {
  out[0] = info->t / m->a->tau;
  out[1] = info->loss;
  out[2] = info->test_error;
  out[3] = info->lambda;
}

static void predict_along_axis(const invman_flow *flow, size_t d, double *F) {
  double *x = (double *)take(GRID * d, sizeof(double));
  size_t i;
  for (i = 0; i < GRID; i++) x[i * d] = grid_point(i);
  check(invman_flow_predict(flow, x, GRID, F), "prediction");
  free(x);
}

static void place_neurons(const invman_net *net, double *zeta, double *weight) {
  double most = 0;
  size_t n, i;
  for (n = 0; n < net->h; n++) {
    const double *w = net->w + n * net->d;
    double square = 0;
    for (i = 0; i < net->d; i++) square += w[i] * w[i];
    zeta[n] = -sqrt((double)net->d) * net->b[n] / w[0];
    weight[n] = fabs(net->beta[n]) * sqrt(square);
    most = fmax(most, weight[n]);
  }
  for (n = 0; n < net->h; n++) weight[n] /= most;
}

static void take_snapshot(monitor *m, int stage, const invman_flow_info *info, const invman_net *net) {
  snapshot *s = &m->stage[stage];
  s->taken = 1;
  s->zeta = (double *)take(net->h, sizeof(double));
  s->weight = (double *)take(net->h, sizeof(double));
  measure(m, info, s->measure);
  predict_along_axis(m->flow, net->d, s->F);
  place_neurons(net, s->zeta, s->weight);
}

static void make_room(monitor *m) {
  size_t capacity = m->capacity ? 2 * m->capacity : 1024;
  double *curve = (double *)take(capacity * MEASURES, sizeof(double));
  if (m->steps > 0) memcpy(curve, m->curve, m->steps * MEASURES * sizeof(double));
  free(m->curve);
  m->curve = curve;
  m->capacity = capacity;
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  monitor *m = (monitor *)user;
  if (m->steps == m->capacity) make_room(m);
  measure(m, info, m->curve + MEASURES * m->steps++);
  if (info->t_star > 0 && !m->stage[TSTAR].taken) take_snapshot(m, TSTAR, info, net);
  if (info->loss <= m->a->middle && !m->stage[MIDDLE].taken) take_snapshot(m, MIDDLE, info, net);
  if (m->terminal) show_progress(info, m->a->p, m->a->tau);
  return 0;
}

/* ---- what comes out */

static void write_predictor(const monitor *m) {
  table t = begin_table(m->a, "predictor.csv", "F at (x_1, 0..); nan: this time was not reached");
  size_t i;
  int k;
  fputs("x_1,F_tstar,F_middle,F_end\n", t.file);
  for (i = 0; i < GRID; i++) {
    fprintf(t.file, "%.9g", grid_point(i));
    for (k = 0; k < STAGES; k++) {
      if (m->stage[k].taken) fprintf(t.file, ",%.9g", m->stage[k].F[i]);
      else fputs(",nan", t.file);
    }
    fputc('\n', t.file);
  }
  end_table(&t);
}

static void write_zeta(const monitor *m) {
  table t = begin_table(m->a, "zeta.csv",
                        "zeta_1: -sqrt(d) b/omega_1; weight: |beta| |omega|, the largest at that time is 1");
  size_t n;
  int k;
  fputs("stage,neuron,zeta_1,weight\n", t.file);
  for (k = 0; k < STAGES; k++)
    for (n = 0; m->stage[k].taken && n < m->a->h; n++)
      fprintf(t.file, "%s,%lu,%.9g,%.9g\n", stage_name[k], (unsigned long)n, m->stage[k].zeta[n],
              m->stage[k].weight[n]);
  end_table(&t);
}

static void write_curves(const monitor *m) {
  table t = begin_table(m->a, "curves.csv", "train_loss: mean hinge loss; test_error: share of wrong test points");
  size_t s;
  fputs("t_over_tau,train_loss,test_error,lambda\n", t.file);
  for (s = 0; s < m->steps; s++) {
    const double *v = m->curve + MEASURES * s;
    fprintf(t.file, "%.9g,%.9g,%.9g,%.9g\n", v[0], v[1], v[2], v[3]);
  }
  end_table(&t);
}

static void write_times(const monitor *m, double t_star) {
  table t = begin_table(m->a, "times.csv", "the three times: the first step after t*, the middle one, the end");
  int k;
  fputs("stage,t_over_tau,train_loss,test_error,lambda,tstar_over_tau\n", t.file);
  for (k = 0; k < STAGES; k++) {
    if (!m->stage[k].taken) continue;
    fputs(stage_name[k], t.file);
    print_values(t.file, m->stage[k].measure, MEASURES);
    fprintf(t.file, ",%.9g\n", t_star);
  }
  end_table(&t);
}

static void show(const monitor *m, const invman_flow_info *info) {
  int k;
  printf("%-12s %s: %s\n", "status", invman_status_string(info->status), invman_end_string(info->end));
  if (info->t_star > 0) printf("%-12s %.6g\n", "t*/tau", info->t_star / m->a->tau);
  else printf("%-12s not reached\n", "t*/tau");
  printf("%-12s %-12s %-12s %-12s %-12s %s\n", "", "t/tau", "train loss", "test error", "Lambda", "largest |F|");
  for (k = 0; k < STAGES; k++) {
    const snapshot *s = &m->stage[k];
    double most = 0;
    size_t i;
    if (!s->taken) continue;
    for (i = 0; i < GRID; i++) most = fmax(most, fabs(s->F[i]));
    printf("%-12s %-12.6g %-12.4g %-12.4g %-12.4g %.4g\n", stage_name[k], s->measure[0], s->measure[1], s->measure[2],
           s->measure[3], most);
  }
}

static void sample(const invman_context *ctx, const arguments *a, invman_data *train, invman_data *test) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.d = a->d;
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(ctx, &model, a->p, &rng, train), "training points");
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TEST);
  check(invman_data_sample(ctx, &model, a->test_size, &rng, test), "test points");
}

static invman_flow_info train_network(const invman_context *ctx, const arguments *a, const invman_data *train,
                                      const invman_data *test, monitor *m) {
  invman_flow_options options;
  invman_flow_info info;
  invman_flow *flow;
  invman_net net;
  invman_rng rng;
  memset(&options, 0, sizeof options);
  options.alpha = a->alpha;
  options.rotation_tol = options.margin_tol = a->tol;
  options.t_max = a->t_max * a->tau;
  options.test = test;
  options.report = report;
  options.user = m;
  memset(&net, 0, sizeof net);
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(ctx, a->h, a->d, &rng, &net), "network");
  check(invman_flow_create(ctx, &net, train, &options, &flow), "training");
  m->flow = flow;
  check(invman_flow_run(flow), "training");
  if (m->terminal) fprintf(stderr, "\r%60s\r", "");
  info = *invman_flow_get_info(flow);
  take_snapshot(m, END, &info, &net);
  invman_flow_free(flow);
  invman_net_free(ctx, &net);
  return info;
}

static void free_monitor(monitor *m) {
  int k;
  for (k = 0; k < STAGES; k++) {
    free(m->stage[k].zeta);
    free(m->stage[k].weight);
  }
  free(m->curve);
}

int main(int argc, char **argv) {
  static const char *const files[] = {"predictor.csv", "zeta.csv", "curves.csv", "times.csv"};
  invman_context ctx;
  invman_flow_info info;
  invman_data train, test;
  arguments a;
  monitor m;
  memset(&ctx, 0, sizeof ctx);
  memset(&m, 0, sizeof m);
  ctx.error = &error;
  ctx.progress = stop_if_interrupted;

  parse(argc, argv, &a);
  check_all_writable(a.out, files, sizeof files / sizeof *files);
  sample(&ctx, &a, &train, &test);
  m.a = &a;
  m.terminal = isatty(fileno(stderr));

  printf("stripe, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", (unsigned long)a.d, (unsigned long)a.p,
         (unsigned long)a.h, a.alpha, (unsigned long)a.seed);
  fflush(stdout);
  signal(SIGINT, interrupt);
  info = train_network(&ctx, &a, &train, &test, &m);
  show(&m, &info);
  if (info.end == INVMAN_END_PROGRESS) {
    fputs("figure_fit: interrupted; nothing is written\n", stderr);
  } else {
    if (!(info.t_star > 0)) fputs("figure_fit: t* was not reached\n", stderr);
    write_predictor(&m);
    write_zeta(&m);
    write_curves(&m);
    write_times(&m, info.t_star / a.tau);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free_monitor(&m);
  invman_data_free(&ctx, &train);
  invman_data_free(&ctx, &test);
  return info.end == INVMAN_END_PROGRESS || !(info.t_star > 0);
}
