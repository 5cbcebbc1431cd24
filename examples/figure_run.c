/* Figures 1, 3, 4 and 6: one run of training, and what it shows of the neurons and of the predictor.

   cc -O2 -fopenmp -I.. figure_run.c -o figure_run -lm
   ./figure_run arrows --out DIRECTORY */
#define _POSIX_C_SOURCE 200809L /* fileno, isatty, mkdir */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

#define USAGE "figure_run arrows|neurons|fit [options]"

static const char help[] =
    "figure_run - what one run of training shows: the CSVs of figures 1, 3, 4 and 6\n"
    "\n"
    "  " USAGE "\n"
    "\n"
    "  arrows   the arrows beta omega of a network's neurons: figure 1, of the cylinder figure 6\n"
    "  neurons  the neurons of a network that learns the stripe, against theory: figure 3\n"
    "  fit      the predictor of a network that learns the stripe, and its neurons: figure 4\n"
    "\n"
    "  figure_run arrows --help    the options of arrows, --out DIRECTORY is one, and the files that it writes\n"
    "  figure_run --version\n";

static const char arrows_about[] =
    "the arrows beta omega of a network's neurons at the start, at t* and at the end of training";
static const char arrows_options[] =
    "  --model M        stripe or cylinder (stripe)\n"
    "  --neurons N      neurons drawn, chosen at random (300, or all where there are fewer)\n";
static const char arrows_results[] =
    "  arrows_MODEL.csv          the arrows, scaled by max |beta| |omega| over all neurons at that time\n"
    "  points_MODEL.csv          the training points\n"
    "  arrows_MODEL_verdict.csv  Lambda, and the informative inputs' share of the energy\n"
    "\n"
    "  figure_run arrows --model cylinder --d 3 --p 1000 --h 10000\n"
    "  gnuplot -e \"dir='.'; out='arrows.svg'\" figures/arrows_cylinder.gp\n"
    "\n"
    "Ctrl-C ends the run early, and the times that it reached are written.";

static const char neurons_about[] =
    "the neurons of a network that learns the stripe, until t*, against the theory of the stripe model";
static const char neurons_options[] =
    "  --neuron K       the neuron whose weights are compared with its equations, from 0 (0)\n"
    "  --neurons N      neurons whose trajectories are written, chosen at random (100, or all where there are fewer)\n"
    "  --distance X     a neuron is at an attractor where its vector z is this near (0.15)\n";
static const char neurons_results[] =
    "  neuron_vs_ode.csv    one neuron's weights: in the run, and by its equations with the noise of the run's points\n"
    "  pull.csv             d C_b + zeta C_1, whose zeros are the attractors\n"
    "  trajectories.csv     neuron vectors z, from the start to t*\n"
    "  attractors.csv       where the theory says that they go\n"
    "  neurons_verdict.csv  how many got there, and how well the equations follow the run\n"
    "\n"
    "  figure_run neurons --p 10000 --h 1000 --neuron 0\n"
    "  gnuplot -e \"dir='.'; out='neurons.svg'\" figures/neurons.gp\n"
    "\n"
    "Nothing is written where t* is not reached. Ctrl-C ends the run early.";

static const char fit_about[] =
    "the predictor along x_1 and the neurons of a network that learns the stripe, at three times";
static const char fit_options[] =
    "  --test-size N    test points (10000)\n"
    "  --middle X       the second time is when the loss has fallen to this; the first is t*, the third the end (0.1)\n"
    "  --t-max T        end at this time, in units of tau = h sqrt(d/2) (none)\n";
static const char fit_results[] =
    "  predictor.csv    F along x_1, the other inputs 0, at the three times\n"
    "  zeta.csv         where every neuron's kink crosses the x_1 axis, and |beta| |omega|, at the three times\n"
    "  curves.csv       loss, test error and Lambda in time\n"
    "  times.csv        the three times\n"
    "\n"
    "  figure_run fit --p 10000 --h 1000\n"
    "  gnuplot -e \"dir='.'; out='fit.svg'\" figures/fit.gp\n"
    "\n"
    "Ctrl-C ends the run early, and the times that it reached are written.";

/* ---- failure */

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_run: ", stderr);
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

/* ---- a run */

typedef struct arguments {
  const char *model, *out;
  size_t d, d_par, p, h, seed, neuron, neurons, test_size;
  double alpha, tol, distance, middle, t_max, tau;
} arguments;

/* The network at one of the times that are compared; of size 0 where that was not reached. */
enum { START, TSTAR, MIDDLE, END, STAGES };
static const char *const stage_name[STAGES] = {"start", "tstar", "middle", "end"};
typedef struct stage {
  invman_net net;
  invman_flow_info info;
} stage;

typedef struct series {
  double *v; /* (rows, columns) */
  size_t rows, capacity;
} series;

typedef struct run run;
typedef struct figure {
  int id;                                       /* ARROWS, NEURONS or FIT */
  const char *name, *about, *options, *results; /* the last three for its help */
  const char *const *files;                     /* MODEL stands for the model; NULL after the last */
  size_t p, h, neurons, test_size;              /* where no others are given */
  int until_t_star;                             /* it ends at t*, and has nothing to show where that is not reached */
  void (*note)(run *r, const invman_flow_info *info); /* at the start and after each step */
  void (*finish)(const run *r);                       /* shows and writes what came out */
} figure;

struct run {
  const figure *figure;
  invman_context ctx;
  arguments a;
  invman_data train, test;
  invman_net net;
  invman_flow_info info;
  size_t *chosen; /* (neurons) */
  stage stage[STAGES];
  series time;  /* of the neurons noted, in units of h, as in the theory */
  series noted; /* a row each step: neurons (neurons + 1, d + 2): omega, b, beta; fit (MEASURES) */
  int terminal;
};

/* ---- options */

enum { ARROWS = 1, NEURONS = 2, FIT = 4, ALL = 7 };
enum { PATH, WORD, WHOLE, POSITIVE };

typedef struct option {
  const char *flag;
  int figures, kind;
  size_t least, place; /* of a whole number; in the arguments */
} option;

/* In the order in which the files have them. */
static const option options[] = {
    {"--model", ARROWS, WORD, 0, offsetof(arguments, model)},
    {"--d", ALL, WHOLE, 2, offsetof(arguments, d)},
    {"--p", ALL, WHOLE, 1, offsetof(arguments, p)},
    {"--h", ALL, WHOLE, 1, offsetof(arguments, h)},
    {"--alpha", ALL, POSITIVE, 0, offsetof(arguments, alpha)},
    {"--seed", ALL, WHOLE, 0, offsetof(arguments, seed)},
    {"--tol", ALL, POSITIVE, 0, offsetof(arguments, tol)},
    {"--neuron", NEURONS, WHOLE, 0, offsetof(arguments, neuron)},
    {"--neurons", ARROWS | NEURONS, WHOLE, 1, offsetof(arguments, neurons)},
    {"--distance", NEURONS, POSITIVE, 0, offsetof(arguments, distance)},
    {"--test-size", FIT, WHOLE, 1, offsetof(arguments, test_size)},
    {"--middle", FIT, POSITIVE, 0, offsetof(arguments, middle)},
    {"--t-max", FIT, POSITIVE, 0, offsetof(arguments, t_max)},
    {"--out", ALL, PATH, 0, offsetof(arguments, out)},
};
enum { OPTIONS = sizeof options / sizeof *options };

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

static void set(arguments *a, const figure *f, const char *flag, const char *value) {
  const option *o = options;
  void *place;
  while (o < options + OPTIONS && !(o->figures & f->id && !strcmp(o->flag, flag))) o++;
  if (o == options + OPTIONS) fail("%s: unknown option; see figure_run %s --help", flag, f->name);
  place = (char *)a + o->place;
  if (o->kind == WHOLE) *(size_t *)place = whole_number(flag, value, o->least);
  else if (o->kind == POSITIVE) *(double *)place = positive_number(flag, value);
  else *(const char **)place = value;
}

/* The command that makes the file again, the version that made it, and how far it came. */
static void print_parameters(FILE *file, const run *r) {
  const arguments *a = &r->a;
  size_t i;
  fprintf(file, "# figure_run %s", r->figure->name);
  for (i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    const void *place = (const char *)a + o->place;
    if (!(o->figures & r->figure->id)) continue;
    if (o->kind == WORD) fprintf(file, " %s %s", o->flag, *(const char *const *)place);
    if (o->kind == WHOLE) fprintf(file, " %s %lu", o->flag, (unsigned long)*(const size_t *)place);
    if (o->kind == POSITIVE && *(const double *)place > 0) fprintf(file, " %s %.15g", o->flag, *(const double *)place);
  }

  fprintf(file, "\n# invman.h %d.%d.%d; ", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
  if (r->figure->id == ARROWS) fprintf(file, "hinge loss; d_par = %lu", (unsigned long)a->d_par);
  else fprintf(file, "stripe -0.3 < x_1 < %.15g; hinge loss", invman_equiprobable_x_max(-0.3));
  fprintf(file, "; tau = h sqrt(d/2) = %.9g\n", a->tau);
  if (r->info.end == INVMAN_END_PROGRESS)
    fprintf(file, "# interrupted at t/tau = %.9g, before the end\n", r->info.t / a->tau);
}

/* ---- files: whole, or not there */

typedef struct table {
  FILE *file;
  char *path, *temporary;
} table;

static char *path_of(const arguments *a, const char *name, const char *tail) {
  const char *mark = strstr(name, "MODEL");
  size_t head = mark ? (size_t)(mark - name) : strlen(name);
  size_t length = strlen(a->out) + strlen(name) + strlen(a->model) + strlen(tail) + 2;
  char *path = (char *)take(length, 1);
  snprintf(path, length, "%s/%.*s%s%s%s", a->out, (int)head, name, mark ? a->model : "", mark ? mark + 5 : "", tail);
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

/* Fails now, and not after hours, where a file will not be written; leaves nothing behind but the directory. */
static void check_writable(const run *r) {
  const char *const *name = r->figure->files;
  if (mkdir(r->a.out, 0777) != 0 && errno != EEXIST) fail("%s: cannot be created", r->a.out);
  for (; *name; name++) {
    table t = open_table(&r->a, *name);
    close_table(&t, 0);
  }
}

/* A file NAME in the directory --out; its first lines say how it was made, the next one, `about`, what it holds. */
static table begin_table(const run *r, const char *name, const char *about) {
  table t = open_table(&r->a, name);
  print_parameters(t.file, r);
  fprintf(t.file, "# %s\n", about);
  return t;
}

static void print_values(FILE *file, const double *v, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) fprintf(file, ",%.9g", v[i]);
}

/* name_1 to name_d, a comma before each */
static void print_names(FILE *file, const char *name, const char *tail, size_t d) {
  size_t i;
  for (i = 1; i <= d; i++) fprintf(file, ",%s_%lu%s", name, (unsigned long)i, tail);
}

/* ---- training */

static volatile sig_atomic_t interrupted;
static void interrupt(int number) { /* the first one ends the run, the second one the program */
  interrupted = 1;
  signal(number, SIG_DFL);
}

static int stop_if_interrupted(const char *task, double done, void *user) {
  (void)task;
  (void)done;
  (void)user;
  return interrupted != 0;
}

static void draw_points(const run *r, size_t n, uint64_t stream, const char *about, invman_data *out) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = r->a.d_par == 2 ? INVMAN_CYLINDER : INVMAN_STRIPE;
  model.d = r->a.d;
  invman_rng_seed(&rng, r->a.seed, stream);
  check(invman_data_sample(&r->ctx, &model, n, &rng, out), about);
}

/* `neurons` of h, drawn without repetition: any first few of them are a random choice too. */
static size_t *choose_neurons(const arguments *a) {
  enum { STREAM_CHOICE = 5 };
  size_t *all = (size_t *)take(a->h, sizeof(size_t)), i;
  invman_rng rng;
  invman_rng_seed(&rng, a->seed, STREAM_CHOICE);
  for (i = 0; i < a->h; i++) all[i] = i;
  for (i = 0; i < a->neurons; i++) {
    size_t j = i + (size_t)(invman_rng_uniform(&rng) * (double)(a->h - i)), kept = all[i];
    all[i] = all[j];
    all[j] = kept;
  }
  return all;
}

/* One more row, to be filled. */
static double *add_row(series *s, size_t columns) {
  if (s->rows == s->capacity) {
    size_t capacity = s->capacity ? 2 * s->capacity : 256;
    double *v = (double *)take(capacity, columns * sizeof(double));
    if (s->rows > 0) memcpy(v, s->v, s->rows * columns * sizeof(double));
    free(s->v);
    s->v = v;
    s->capacity = capacity;
  }
  return s->v + columns * s->rows++;
}

/* The first moment counts. */
static void keep_stage(run *r, int which, const invman_flow_info *info) {
  stage *s = &r->stage[which];
  if (s->net.h > 0) return;
  s->info = *info;
  check(invman_net_copy(&r->ctx, &r->net, &s->net), "network");
}

static void note_stages(run *r, const invman_flow_info *info) {
  keep_stage(r, START, info);
  if (info->t_star > 0) keep_stage(r, TSTAR, info);
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  run *r = (run *)user;
  (void)net;
  r->figure->note(r, info);
  if (r->terminal) {
    fprintf(stderr, "\r%5.1f %% satisfied   t/tau %-10.4g Lambda %-8.4g",
            100 - 100 * (double)info->unsatisfied / (double)r->a.p, info->t / r->a.tau, info->lambda);
    fflush(stderr);
  }
  return r->figure->until_t_star && info->t_star > 0;
}

static void train_network(run *r) {
  const arguments *a = &r->a;
  invman_flow_options o;
  invman_rng rng;
  memset(&o, 0, sizeof o);
  o.alpha = a->alpha;
  o.rotation_tol = o.margin_tol = a->tol;
  o.t_max = a->t_max * a->tau;
  o.d_par = a->d_par;
  o.test = a->test_size > 0 ? &r->test : NULL;
  o.report = report;
  o.user = r;

  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(&r->ctx, a->h, a->d, &rng, &r->net), "network");
  r->figure->note(r, &r->info);
  check(invman_train(&r->ctx, &r->net, &r->train, &o, &r->info), "training");
  if (r->terminal) fprintf(stderr, "\r%60s\r", "");
  if (r->info.end != INVMAN_END_PROGRESS) keep_stage(r, END, &r->info);
}

/* ---- what the figures share */

static double t_over_tau(const run *r, int which) { return r->stage[which].info.t / r->a.tau; }

static double arrow_length(const invman_net *net, size_t n) { /* |beta| |omega| */
  const double *w = net->w + n * net->d;
  double square = 0;
  size_t i;
  for (i = 0; i < net->d; i++) square += w[i] * w[i];
  return fabs(net->beta[n]) * sqrt(square);
}

static double longest_arrow(const invman_net *net) {
  double most = 0;
  size_t n;
  for (n = 0; n < net->h; n++) most = fmax(most, arrow_length(net, n));
  return most;
}

static void show_status(const run *r) {
  printf("%-12s %s: %s\n", "status", invman_status_string(r->info.status), invman_end_string(r->info.end));
}

/* ---- arrows */

/* sum beta^2 |omega_par|^2 / sum beta^2 |omega|^2 */
static double informative_share(const invman_net *net, size_t d_par) {
  double part = 0, all = 0;
  size_t n, i;
  for (n = 0; n < net->h; n++)
    for (i = 0; i < net->d; i++) {
      double v = net->beta[n] * net->w[n * net->d + i];
      all += v * v;
      part += i < d_par ? v * v : 0;
    }
  return part / all;
}

static void print_arrows(FILE *file, const run *r, int which) {
  const invman_net *net = &r->stage[which].net;
  size_t d = net->d, k, i;
  double *z = (double *)take(net->h * d, sizeof(double)), scale = 1 / longest_arrow(net);
  invman_neuron_vectors(net, z);
  for (k = 0; k < r->a.neurons; k++) {
    size_t n = r->chosen[k];
    fprintf(file, "%s,%.9g,%lu", stage_name[which], t_over_tau(r, which), (unsigned long)n);
    for (i = 0; i < d; i++) fprintf(file, ",%.9g", scale * net->beta[n] * net->w[n * d + i]);
    print_values(file, z + n * d, d);
    fputc('\n', file);
  }
  free(z);
}

static void write_arrows(const run *r) {
  table t = begin_table(r, "arrows_MODEL.csv",
                        "arrow: beta omega / max |beta| |omega|; z: neuron vector -sqrt(d) b omega/|omega|^2");
  int i;
  fputs("stage,t_over_tau,neuron", t.file);
  print_names(t.file, "arrow", "", r->a.d);
  print_names(t.file, "z", "", r->a.d);
  fputc('\n', t.file);
  for (i = 0; i < STAGES; i++)
    if (r->stage[i].net.h > 0) print_arrows(t.file, r, i);
  close_table(&t, 1);
}

static void write_points(const run *r) {
  const invman_data *data = &r->train;
  table t = begin_table(r, "points_MODEL.csv", "the training points, normal with standard deviation 1 in every input");
  size_t i;
  fputs("label", t.file);
  print_names(t.file, "x", "", data->d);
  fputc('\n', t.file);
  for (i = 0; i < data->n; i++) {
    fprintf(t.file, "%d", data->y[i] > 0 ? 1 : -1);
    print_values(t.file, data->x + i * data->d, data->d);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_shares(const run *r) {
  table t = begin_table(r, "arrows_MODEL_verdict.csv",
                        "share: sum beta^2 |omega_par|^2 / sum beta^2 |omega|^2 over all neurons");
  int i;
  fputs("stage,t_over_tau,lambda,informative_energy_share\n", t.file);
  for (i = 0; i < STAGES; i++) {
    const invman_net *net = &r->stage[i].net;
    if (net->h > 0)
      fprintf(t.file, "%s,%.9g,%.9g,%.9g\n", stage_name[i], t_over_tau(r, i), invman_amplification(net, r->a.d_par),
              informative_share(net, r->a.d_par));
  }
  close_table(&t, 1);
}

static void finish_arrows(const run *r) {
  int i;
  show_status(r);
  printf("%-12s %-12s %-12s %s\n", "", "t/tau", "Lambda", "informative share of the energy");
  for (i = 0; i < STAGES; i++) {
    const invman_net *net = &r->stage[i].net;
    if (net->h > 0)
      printf("%-12s %-12.6g %-12.4g %.6f\n", stage_name[i], t_over_tau(r, i), invman_amplification(net, r->a.d_par),
             informative_share(net, r->a.d_par));
  }
  write_arrows(r);
  write_points(r);
  write_shares(r);
}

/* ---- neurons: the one that is compared, then those drawn at random */

enum { MOST_ATTRACTORS = 16 };

typedef struct attractors {
  invman_fixed_point at[MOST_ATTRACTORS];
  size_t count;
} attractors;

typedef struct verdict {
  double t_star;              /* in units of tau */
  double near_share, near_by; /* neurons at an attractor: weighted by |beta| |omega|, and counted */
  double share[MOST_ATTRACTORS], by[MOST_ATTRACTORS]; /* the same for each attractor */
  double followed;    /* neurons drawn whose omega_1 and beta the equations follow within 0.1 until 0.9 t* */
  double *difference; /* (d + 2) the same for the one compared: omega, b, beta */
} verdict;

static void note_neurons(run *r, const invman_flow_info *info) {
  const invman_net *net = &r->net;
  size_t d = net->d, k, i;
  double *state = add_row(&r->noted, (r->a.neurons + 1) * (d + 2));
  *add_row(&r->time, 1) = info->t / (double)net->h;
  for (k = 0; k <= r->a.neurons; k++, state += d + 2) {
    size_t n = k == 0 ? r->a.neuron : r->chosen[k - 1];
    for (i = 0; i < d; i++) state[i] = net->w[n * d + i];
    state[d] = net->b[n];
    state[d + 1] = net->beta[n];
  }
}

static const double *state_of(const run *r, size_t step, size_t k) {
  return r->noted.v + (step * (r->a.neurons + 1) + k) * (r->a.d + 2);
}

static double step_over_tau(const run *r, size_t step) { return r->time.v[step] * (double)r->a.h / r->a.tau; }

static void neuron_vector(const double *state, size_t d, double *z) {
  double square = 0;
  size_t i;
  for (i = 0; i < d; i++) square += state[i] * state[i];
  for (i = 0; i < d; i++) z[i] = -sqrt((double)d) * state[d] * state[i] / square;
}

/* How far the neuron vector is from the attractors of its sign of omega_1; `nearest`: which one is meant. */
static double attractor_distance(const attractors *s, const double *z, size_t d, double omega_1, size_t *nearest) {
  double least = HUGE_VAL, perp = 0;
  int sign = omega_1 < 0 ? -1 : 1;
  size_t k, i;
  for (i = 1; i < d; i++) perp += z[i] * z[i];
  for (k = 0; k < s->count; k++) {
    double along = z[0] - s->at[k].z, distance = sqrt(along * along + perp);
    if (s->at[k].sign != sign || !(distance < least)) continue;
    least = distance;
    *nearest = k;
  }
  return least;
}

static void count_arrived(const run *r, const attractors *s, verdict *v) {
  const invman_net *net = &r->net;
  size_t d = net->d, n, nearest = 0;
  double *z = (double *)take(net->h * d, sizeof(double)), all = 0;
  invman_neuron_vectors(net, z);
  for (n = 0; n < net->h; n++) {
    int arrived = attractor_distance(s, z + n * d, d, net->w[n * d], &nearest) < r->a.distance;
    double weight = arrow_length(net, n);
    all += weight;
    v->share[nearest] += arrived ? weight : 0;
    v->by[nearest] += arrived ? 1 / (double)net->h : 0;
  }
  for (n = 0; n < s->count; n++) {
    v->share[n] /= all;
    v->near_share += v->share[n];
    v->near_by += v->by[n];
  }
  free(z);
}

/* Neuron k by Eq. (5) and (7), with the points' noise at the attractor that it is next to at t*. ode (steps,d+2). */
static void follow(const run *r, const attractors *s, size_t k, double *ode) {
  size_t d = r->a.d, steps = r->time.rows, nearest = 0;
  const double *end = state_of(r, steps - 1, k);
  double *z = (double *)take(d, sizeof(double)), *noise = (double *)take(d + 1, sizeof(double));
  neuron_vector(end, d, z);
  attractor_distance(s, z, d, end[0], &nearest);
  invman_stripe_noise(&r->train, NULL, 0, s->at[nearest].z, s->at[nearest].sign, noise);
  check(invman_stripe_noisy_ode(&r->ctx, NULL, 0, d, state_of(r, 0, k), noise, r->time.v, steps, ode),
        "neuron equations");
  free(noise);
  free(z);
}

/* The largest difference of component `c` over the first n times, as a share of its largest value. */
static double relative_difference(const run *r, const double *ode, size_t n, size_t k, size_t c) {
  double worst = 0, size = 0;
  size_t s;
  for (s = 0; s < n; s++) {
    double real = state_of(r, s, k)[c];
    worst = fmax(worst, fabs(ode[s * (r->a.d + 2) + c] - real));
    size = fmax(size, fabs(real));
  }
  return worst / size;
}

/* ode (steps,d+2) out: the first neuron's */
static void compare(const run *r, const attractors *s, double *ode, verdict *v) {
  size_t d = r->a.d, n = r->time.rows, k, c;
  while (n > 1 && r->time.v[n - 1] * (double)r->a.h > 0.9 * v->t_star * r->a.tau) n--;
  for (k = r->a.neurons; k > 0; k--) {
    follow(r, s, k, ode);
    if (relative_difference(r, ode, n, k, 0) < 0.1 && relative_difference(r, ode, n, k, d + 1) < 0.1)
      v->followed += 1 / (double)r->a.neurons;
  }
  follow(r, s, 0, ode);
  for (c = 0; c < d + 2; c++) v->difference[c] = relative_difference(r, ode, n, 0, c);
}

static void show_neurons(const run *r, const attractors *s, const verdict *v) {
  const double *off = v->difference;
  size_t d = r->a.d, k;
  printf("%-12s %.6g\n", "t*/tau", v->t_star);
  for (k = 0; k < s->count; k++)
    printf("%-12s z = %.6f, omega_1 %c 0, C_1 = %.6f, tau*/tau = %.4f: %.3f of the neurons\n", "attractor", s->at[k].z,
           s->at[k].sign > 0 ? '>' : '<', s->at[k].c1, s->at[k].time, v->by[k]);
  printf("%-12s %.4f of the weight |beta| |omega| within %g of one of them, %.3f of the neurons\n", "arrived",
         v->near_share, r->a.distance, v->near_by);
  printf("%-12s off by", "neuron");
  for (k = 0; k < d; k++) printf(" omega_%lu %.2f %%", (unsigned long)k + 1, 100 * off[k]);
  printf(" b %.2f %% beta %.2f %% until 0.9 t*\n", 100 * off[d], 100 * off[d + 1]);
  printf("%-12s %.2f of %lu neurons within 10 %% in omega_1 and beta\n", "followed", v->followed,
         (unsigned long)r->a.neurons);
}

static void write_neuron(const run *r, const double *ode) {
  table t = begin_table(r, "neuron_vs_ode.csv", "the weights of one neuron: in the run, and by Eq. (5) and (7), _ode");
  size_t d = r->a.d, s;
  fputs("t_over_tau", t.file);
  print_names(t.file, "omega", "", d);
  fputs(",b,beta", t.file);
  print_names(t.file, "omega", "_ode", d);
  fputs(",b_ode,beta_ode\n", t.file);
  for (s = 0; s < r->time.rows; s++) {
    fprintf(t.file, "%.9g", step_over_tau(r, s));
    print_values(t.file, state_of(r, s, 0), d + 2);
    print_values(t.file, ode + s * (d + 2), d + 2);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

/* d C_b + zeta C_1, and whether omega_1 outgrows omega_perp where a neuron stays at zeta, a comma before each. */
static void print_pull(FILE *file, size_t d, double zeta, int sign) {
  double c1, cb;
  int consistent;
  invman_stripe_integrals(NULL, 0, zeta, sign, &c1, &cb);
  consistent =
      sign * c1 * invman_stripe_label(NULL, 0, zeta) < 0 || fabs(c1) > 0.39894228040143267794 * exp(-0.5 * zeta * zeta);
  fprintf(file, ",%.9g,%d", (double)d * cb + zeta * c1, consistent);
}

static void write_pull(const run *r) {
  table t = begin_table(r, "pull.csv",
                        "pull: d C_b + zeta C_1, plus: omega_1 > 0; consistent: 1 where lambda grows without limit");
  int i;
  fputs("zeta,pull_plus,consistent_plus,pull_minus,consistent_minus\n", t.file);
  for (i = -300; i <= 300; i++) {
    fprintf(t.file, "%.9g", i / 100.0);
    print_pull(t.file, r->a.d, i / 100.0, 1);
    print_pull(t.file, r->a.d, i / 100.0, -1);
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_trajectories(const run *r) {
  table t = begin_table(r, "trajectories.csv", "z: neuron vector -sqrt(d) b omega/|omega|^2");
  size_t d = r->a.d, k, s;
  double *z = (double *)take(d, sizeof(double));
  fputs("neuron,t_over_tau", t.file);
  print_names(t.file, "z", "", d);
  fputc('\n', t.file);
  for (k = 0; k < r->a.neurons; k++)
    for (s = 0; s < r->time.rows; s++) {
      neuron_vector(state_of(r, s, k + 1), d, z);
      fprintf(t.file, "%lu,%.9g", (unsigned long)r->chosen[k], step_over_tau(r, s));
      print_values(t.file, z, d);
      fputc('\n', t.file);
    }
  close_table(&t, 1);
  free(z);
}

static void write_attractors(const run *r, const attractors *s) {
  table t = begin_table(r, "attractors.csv", "the attractors (z,0..); sign of omega_1; weights grow as exp(t/taustar)");
  size_t k;
  fputs("z,sign,C_1,taustar_over_tau\n", t.file);
  for (k = 0; k < s->count; k++)
    fprintf(t.file, "%.9g,%d,%.9g,%.9g\n", s->at[k].z, s->at[k].sign, s->at[k].c1, s->at[k].time);
  close_table(&t, 1);
}

/* `index` 0: the name has none; `least` 0: nothing is predicted. */
static void print_row(FILE *file, const char *name, size_t index, double value, double least) {
  fputs(name, file);
  if (index > 0) fprintf(file, "_%lu", (unsigned long)index);
  fprintf(file, ",%.9g,", value);
  if (least > 0) fprintf(file, "%.9g,%s", least, value >= least ? "yes" : "no");
  else fputc(',', file);
  fputc('\n', file);
}

static void write_verdict(const run *r, const attractors *s, const verdict *v) {
  table t =
      begin_table(r, "neurons_verdict.csv",
                  "at attractors: share by |beta| |omega|, count; difference: run - equations, largest until 0.9 t*\n"
                  "# followed: those within 0.1 in omega_1 and beta; the equations have the points' fluctuation at the "
                  "attractor,\n# not the one on the way there");
  size_t d = r->a.d, i;
  fputs("quantity,value,floor,holds\n", t.file);
  print_row(t.file, "tstar_over_tau", 0, v->t_star, 0);
  print_row(t.file, "share_at_attractors", 0, v->near_share, 0.9);
  print_row(t.file, "count_at_attractors", 0, v->near_by, 0);
  for (i = 0; i < s->count; i++) print_row(t.file, "share_at_attractor", i + 1, v->share[i], 0);
  for (i = 0; i < s->count; i++) print_row(t.file, "count_at_attractor", i + 1, v->by[i], 0);
  print_row(t.file, "share_followed", 0, v->followed, 0);
  for (i = 0; i < d; i++) print_row(t.file, "difference_omega", i + 1, v->difference[i], 0);
  print_row(t.file, "difference_b", 0, v->difference[d], 0);
  print_row(t.file, "difference_beta", 0, v->difference[d + 1], 0);
  close_table(&t, 1);
}

static void finish_neurons(const run *r) {
  double *ode = (double *)take(r->time.rows, (r->a.d + 2) * sizeof(double));
  attractors s;
  verdict v;
  memset(&s, 0, sizeof s);
  memset(&v, 0, sizeof v);
  v.t_star = r->info.t_star / r->a.tau;
  v.difference = (double *)take(r->a.d + 2, sizeof(double));
  check(invman_stripe_fixed_points(NULL, 0, r->a.d, s.at, MOST_ATTRACTORS, &s.count), "attractors");
  count_arrived(r, &s, &v);
  compare(r, &s, ode, &v);
  show_neurons(r, &s, &v);
  write_neuron(r, ode);
  write_pull(r);
  write_trajectories(r);
  write_attractors(r, &s);
  write_verdict(r, &s, &v);
  free(v.difference);
  free(ode);
}

/* ---- fit */

enum { GRID = 601, MEASURES = 4 };

static void measure(const run *r, const invman_flow_info *info, double out[MEASURES]) {
  out[0] = info->t / r->a.tau;
  out[1] = info->loss;
  out[2] = info->test_error;
  out[3] = info->lambda;
}

static void note_fit(run *r, const invman_flow_info *info) {
  note_stages(r, info);
  if (info->step == 0) return;
  measure(r, info, add_row(&r->noted, MEASURES));
  if (info->loss <= r->a.middle) keep_stage(r, MIDDLE, info);
}

static double grid_point(size_t i) { return ((double)i - (GRID - 1) / 2) / 100; } /* from x_1 = -3 to 3 */

/* F = alpha (f - f_0) along x_1 */
static void predict_along_axis(const run *r, const invman_net *net, double F[GRID]) {
  double *x = (double *)take(GRID * net->d, sizeof(double)), f_0[GRID];
  size_t i;
  for (i = 0; i < GRID; i++) x[i * net->d] = grid_point(i);
  check(invman_net_eval(&r->ctx, &r->stage[START].net, x, GRID, f_0), "prediction");
  check(invman_net_eval(&r->ctx, net, x, GRID, F), "prediction");
  for (i = 0; i < GRID; i++) F[i] = r->a.alpha * (F[i] - f_0[i]);
  free(x);
}

static void show_fit(const run *r, double F[STAGES][GRID]) {
  int k;
  show_status(r);
  if (r->info.t_star > 0) printf("%-12s %.6g\n", "t*/tau", r->info.t_star / r->a.tau);
  else printf("%-12s not reached\n", "t*/tau");
  printf("%-12s %-12s %-12s %-12s %-12s %s\n", "", "t/tau", "train loss", "test error", "Lambda", "largest |F|");
  for (k = TSTAR; k < STAGES; k++) {
    double v[MEASURES], most = 0;
    size_t i;
    if (r->stage[k].net.h == 0) continue;
    measure(r, &r->stage[k].info, v);
    for (i = 0; i < GRID; i++) most = fmax(most, fabs(F[k][i]));
    printf("%-12s %-12.6g %-12.4g %-12.4g %-12.4g %.4g\n", stage_name[k], v[0], v[1], v[2], v[3], most);
  }
}

static void write_predictor(const run *r, double F[STAGES][GRID]) {
  table t = begin_table(r, "predictor.csv", "F at (x_1, 0..); nan: this time was not reached");
  size_t i;
  int k;
  fputs("x_1,F_tstar,F_middle,F_end\n", t.file);
  for (i = 0; i < GRID; i++) {
    fprintf(t.file, "%.9g", grid_point(i));
    for (k = TSTAR; k < STAGES; k++) {
      if (r->stage[k].net.h > 0) print_values(t.file, &F[k][i], 1);
      else fputs(",nan", t.file);
    }
    fputc('\n', t.file);
  }
  close_table(&t, 1);
}

static void write_zeta(const run *r) {
  table t =
      begin_table(r, "zeta.csv", "zeta_1: -sqrt(d) b/omega_1; weight: |beta| |omega|, the largest at that time is 1");
  size_t d = r->a.d, n;
  int k;
  fputs("stage,neuron,zeta_1,weight\n", t.file);
  for (k = TSTAR; k < STAGES; k++) {
    const invman_net *net = &r->stage[k].net;
    double most = longest_arrow(net);
    for (n = 0; n < net->h; n++)
      fprintf(t.file, "%s,%lu,%.9g,%.9g\n", stage_name[k], (unsigned long)n,
              -sqrt((double)d) * net->b[n] / net->w[n * d], arrow_length(net, n) / most);
  }
  close_table(&t, 1);
}

static void write_curves(const run *r) {
  table t = begin_table(r, "curves.csv", "train_loss: mean hinge loss; test_error: share of wrong test points");
  size_t s;
  fputs("t_over_tau,train_loss,test_error,lambda\n", t.file);
  for (s = 0; s < r->noted.rows; s++) {
    const double *v = r->noted.v + MEASURES * s;
    fprintf(t.file, "%.9g,%.9g,%.9g,%.9g\n", v[0], v[1], v[2], v[3]);
  }
  close_table(&t, 1);
}

static void write_times(const run *r) {
  table t = begin_table(r, "times.csv", "the three times: the first step after t*, the middle one, the end");
  int k;
  fputs("stage,t_over_tau,train_loss,test_error,lambda,tstar_over_tau\n", t.file);
  for (k = TSTAR; k < STAGES; k++) {
    double v[MEASURES];
    if (r->stage[k].net.h == 0) continue;
    measure(r, &r->stage[k].info, v);
    fputs(stage_name[k], t.file);
    print_values(t.file, v, MEASURES);
    fprintf(t.file, ",%.9g\n", r->info.t_star / r->a.tau);
  }
  close_table(&t, 1);
}

static void finish_fit(const run *r) {
  double F[STAGES][GRID];
  int k;
  for (k = TSTAR; k < STAGES; k++)
    if (r->stage[k].net.h > 0) predict_along_axis(r, &r->stage[k].net, F[k]);
  show_fit(r, F);
  write_predictor(r, F);
  write_zeta(r);
  write_curves(r);
  write_times(r);
}

/* ---- the program */

static const char *const arrows_files[] = {"arrows_MODEL.csv", "points_MODEL.csv", "arrows_MODEL_verdict.csv", NULL};
static const char *const neurons_files[] = {"neuron_vs_ode.csv",   "pull.csv", "trajectories.csv", "attractors.csv",
                                            "neurons_verdict.csv", NULL};
static const char *const fit_files[] = {"predictor.csv", "zeta.csv", "curves.csv", "times.csv", NULL};

static const figure figures[] = {
    {ARROWS, "arrows", arrows_about, arrows_options, arrows_results, arrows_files, 1000, 10000, 300, 0, 0, note_stages,
     finish_arrows},
    {NEURONS, "neurons", neurons_about, neurons_options, neurons_results, neurons_files, 10000, 1000, 100, 0, 1,
     note_neurons, finish_neurons},
    {FIT, "fit", fit_about, fit_options, fit_results, fit_files, 10000, 1000, 0, 10000, 0, note_fit, finish_fit},
};
enum { FIGURES = sizeof figures / sizeof *figures };

static void print_help(const figure *f) {
  printf("figure_run %s - %s\n\n  figure_run %s [options]\n\n", f->name, f->about, f->name);
  printf("  --d N            inputs (%s)\n", f->id == ARROWS ? "stripe 2, cylinder 3" : "2");
  printf("  --p N            training points (%lu)\n", (unsigned long)f->p);
  printf("  --h N            neurons (%lu)\n", (unsigned long)f->h);
  printf("  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
         "  --seed N         of all that is drawn at random (1)\n"
         "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
         "%s"
         "  --out DIRECTORY  where the files go, made if need be (.)\n"
         "  --help, --version\n\n",
         f->options);
  printf("%s A second Ctrl-C ends the program.\n\n"
         "Exit status: 0 done, or Ctrl-C ended it; 1 t* was not reached; 2 bad input.\n",
         f->results);
}

/* --help and --version end the program; `f` NULL: before a figure is named. */
static void answer(const char *flag, const figure *f) {
  if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
    if (f) print_help(f);
    else fputs(help, stdout);
    exit(0);
  }
  if (!strcmp(flag, "--version")) {
    printf("figure_run, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
    exit(0);
  }
}

static const figure *find_figure(const char *name) {
  const figure *f = figures;
  if (!name) fail("usage: " USAGE "; see --help");
  answer(name, NULL);
  while (f < figures + FIGURES && strcmp(f->name, name)) f++;
  if (f == figures + FIGURES) fail("'%s' is unknown; usage: " USAGE "; see --help", name);
  return f;
}

static void set_defaults(arguments *a, const figure *f) {
  a->model = "stripe";
  a->out = ".";
  a->p = f->p;
  a->h = f->h;
  a->seed = 1;
  a->test_size = f->test_size;
  a->alpha = 1e-6;
  a->tol = 0.1;
  a->distance = 0.15;
  a->middle = 0.1;
}

static void complete(arguments *a, const figure *f) {
  int cylinder = !strcmp(a->model, "cylinder");
  if (!cylinder && strcmp(a->model, "stripe")) fail("--model: '%s' is neither stripe nor cylinder", a->model);
  a->d_par = cylinder ? 2 : 1;
  if (a->d == 0) a->d = a->d_par + 1;
  if (a->d <= a->d_par) fail("--d must be at least %lu", (unsigned long)a->d_par + 1);
  if (a->tol > 1) fail("--tol must be at most 1");
  if (a->neuron >= a->h) fail("--neuron must be below --h, %lu", (unsigned long)a->h);
  if (a->neurons > a->h) fail("--neurons: there are only %lu", (unsigned long)a->h);
  if (a->neurons == 0) a->neurons = a->h < f->neurons ? a->h : f->neurons;
  a->tau = (double)a->h * sqrt((double)a->d / 2);
}

static void parse(int argc, char **argv, run *r) {
  int i;
  r->figure = find_figure(argc > 1 ? argv[1] : NULL);
  set_defaults(&r->a, r->figure);
  for (i = 2; i < argc; i += 2) {
    const char *flag = argv[i];
    answer(flag, r->figure);
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see figure_run %s --help", flag, r->figure->name);
    if (i + 1 == argc) fail("%s: unknown, or its value is missing; see figure_run %s --help", flag, r->figure->name);
    set(&r->a, r->figure, flag, argv[i + 1]);
  }
  complete(&r->a, r->figure);
}

/* Says where the run ended too early; shows and writes what it reached. Returns the exit status. */
static int conclude(const run *r) {
  int stopped = r->info.end == INVMAN_END_PROGRESS, reached = r->info.t_star > 0;
  int usable = reached || !r->figure->until_t_star;
  const char *rest = usable ? "" : "; nothing is written";
  if (stopped)
    printf("stopped: at t/tau = %.6g, with %lu of %lu points satisfied; later times are not known%s\n",
           r->info.t / r->a.tau, (unsigned long)(r->a.p - r->info.unsatisfied), (unsigned long)r->a.p, rest);
  else if (!reached) fprintf(stderr, "figure_run: t* was not reached%s\n", rest);
  if (usable) r->figure->finish(r);
  return !stopped && !reached;
}

static void free_run(run *r) {
  int i;
  for (i = 0; i < STAGES; i++) invman_net_free(&r->ctx, &r->stage[i].net);
  free(r->time.v);
  free(r->noted.v);
  free(r->chosen);
  invman_net_free(&r->ctx, &r->net);
  invman_data_free(&r->ctx, &r->train);
  invman_data_free(&r->ctx, &r->test);
}

static void prepare(run *r, int argc, char **argv) {
  memset(r, 0, sizeof *r);
  r->ctx.error = &error;
  r->ctx.progress = stop_if_interrupted;
  r->terminal = isatty(fileno(stderr));
  parse(argc, argv, r);
  check_writable(r);
  draw_points(r, r->a.p, INVMAN_STREAM_TRAIN, "training points", &r->train);
  if (r->a.test_size > 0) draw_points(r, r->a.test_size, INVMAN_STREAM_TEST, "test points", &r->test);
  r->chosen = choose_neurons(&r->a);
}

int main(int argc, char **argv) {
  run r;
  int status;
  prepare(&r, argc, argv);
  printf("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", r.a.model, (unsigned long)r.a.d, (unsigned long)r.a.p,
         (unsigned long)r.a.h, r.a.alpha, (unsigned long)r.a.seed);
  fflush(stdout);
  signal(SIGINT, interrupt);
  train_network(&r);
  status = conclude(&r);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free_run(&r);
  return status;
}
