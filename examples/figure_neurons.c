/* Figure 3: neurons of a real run against the theory of the stripe model: one neuron's weights against its equations,
   where the equations pull, and where the neurons go.

   cc -O2 -fopenmp -I.. figure_neurons.c -o figure_neurons -lm
   ./figure_neurons --out DIRECTORY */
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
    "figure_neurons - the neurons of a network that learns the stripe, until t*, against the theory of the stripe "
    "model\n"
    "\n"
    "  figure_neurons [options]\n"
    "\n"
    "  --d N            inputs (2)\n"
    "  --p N            training points (10000)\n"
    "  --h N            neurons (1000)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N         of points, weights and the choice of neurons (1)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --neuron K       the neuron whose weights are compared with its equations, from 0 (0)\n"
    "  --neurons N      neurons whose trajectories are written, chosen at random (100, or all where there are fewer)\n"
    "  --distance X     a neuron is at an attractor where its vector z is this near (0.15)\n"
    "  --out DIRECTORY  where the files go, made if need be (.)\n"
    "  --help, --version\n"
    "\n"
    "  neuron_vs_ode.csv    one neuron's weights: in the run, and by its equations with the noise of the run's points\n"
    "  pull.csv             d C_b + zeta C_1, whose zeros are the attractors\n"
    "  trajectories.csv     neuron vectors z, from the start to t*\n"
    "  attractors.csv       where the theory says that they go\n"
    "  neurons_verdict.csv  how many got there, and how well the equations follow the run\n"
    "\n"
    "  figure_neurons --p 10000 --h 1000 --neuron 0\n"
    "  gnuplot -e \"dir='.'; out='neurons.svg'\" figures/neurons.gp\n"
    "\n"
    "Exit status: 0 done; 1 interrupted, or t* was not reached: nothing is written; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_neurons: ", stderr);
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
  size_t d, p, h, seed, neuron, neurons;
  double alpha, tol, distance, tau;
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
  a->alpha = 1e-6;
  a->tol = 0.1;
  a->distance = 0.15;
}

static void set(arguments *a, const char *flag, const char *value) {
  if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 2);
  else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
  else if (!strcmp(flag, "--neuron")) a->neuron = whole_number(flag, value, 0);
  else if (!strcmp(flag, "--neurons")) a->neurons = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--distance")) a->distance = positive_number(flag, value);
  else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
  else if (!strcmp(flag, "--tol")) {
    a->tol = positive_number(flag, value);
    if (a->tol > 1) fail("--tol must be at most 1");
  } else fail("%s: unknown option; see --help", flag);
}

static void finish(arguments *a) {
  if (a->neuron >= a->h) fail("--neuron must be below --h, %lu", (unsigned long)a->h);
  if (a->neurons > a->h) fail("--neurons: there are only %lu", (unsigned long)a->h);
  if (a->neurons == 0) a->neurons = a->h < 100 ? a->h : 100;
  a->tau = (double)a->h * sqrt((double)a->d / 2);
}

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
      printf("figure_neurons, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
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
          "# figure_neurons --d %lu --p %lu --h %lu --alpha %.15g --seed %lu --tol %.15g --neuron %lu --neurons %lu "
          "--distance %.15g\n",
          (unsigned long)a->d, (unsigned long)a->p, (unsigned long)a->h, a->alpha, (unsigned long)a->seed, a->tol,
          (unsigned long)a->neuron, (unsigned long)a->neurons, a->distance);
  fprintf(file, "# invman.h %d.%d.%d; stripe -0.3 < x_1 < %.15g; hinge loss; tau = h sqrt(d/2) = %.9g\n",
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

/* ---- neurons followed: the chosen one, then those drawn at random */

enum { MOST_ATTRACTORS = 16, STREAM_CHOICE = 5 };

typedef struct trace {
  const arguments *a;
  size_t *chosen; /* (neurons) */
  size_t steps, capacity;
  double *t;     /* (steps) in units of h, as in the theory */
  double *state; /* (steps, neurons + 1, d + 2): omega, b, beta */
  int terminal;
} trace;

/* `count` of h neurons, drawn without repetition: any first few of them are a random choice too. */
static size_t *choose_neurons(const arguments *a) {
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

static const double *state_of(const trace *f, size_t step, size_t k) {
  return f->state + (step * (f->a->neurons + 1) + k) * (f->a->d + 2);
}

static void make_room(trace *f) {
  size_t row = (f->a->neurons + 1) * (f->a->d + 2), capacity = f->capacity ? 2 * f->capacity : 256;
  double *t = (double *)take(capacity, sizeof(double)), *state = (double *)take(capacity, row * sizeof(double));
  if (f->steps > 0) {
    memcpy(t, f->t, f->steps * sizeof(double));
    memcpy(state, f->state, f->steps * row * sizeof(double));
  }
  free(f->t);
  free(f->state);
  f->t = t;
  f->state = state;
  f->capacity = capacity;
}

static void note(trace *f, const invman_net *net, double t) {
  size_t d = net->d, k, i;
  double *state;
  if (f->steps == f->capacity) make_room(f);
  state = f->state + f->steps * (f->a->neurons + 1) * (d + 2);
  f->t[f->steps++] = t / (double)net->h;
  for (k = 0; k <= f->a->neurons; k++, state += d + 2) {
    size_t n = k == 0 ? f->a->neuron : f->chosen[k - 1];
    for (i = 0; i < d; i++) state[i] = net->w[n * d + i];
    state[d] = net->b[n];
    state[d + 1] = net->beta[n];
  }
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  trace *f = (trace *)user;
  note(f, net, info->t);
  if (f->terminal) show_progress(info, f->a->p, f->a->tau);
  return info->t_star > 0;
}

/* ---- the theory */

static void neuron_vector(const double *state, size_t d, double *z) {
  double square = 0;
  size_t i;
  for (i = 0; i < d; i++) square += state[i] * state[i];
  for (i = 0; i < d; i++) z[i] = -sqrt((double)d) * state[d] * state[i] / square;
}

/* How far the neuron vector is from the attractors of its sign; `nearest`: which one is meant. */
static double attractor_distance(const double *z, size_t d, int sign, const invman_fixed_point *at, size_t count,
                                 size_t *nearest) {
  double least = HUGE_VAL, perp = 0;
  size_t k, i;
  for (i = 1; i < d; i++) perp += z[i] * z[i];
  for (k = 0; k < count; k++) {
    double distance = sqrt((z[0] - at[k].z) * (z[0] - at[k].z) + perp);
    if (at[k].sign != sign || !(distance < least)) continue;
    least = distance;
    *nearest = k;
  }
  return least;
}

/* Neuron k by Eq. (5) and (7), with the points' noise at the attractor that it is next to at t*. ode (steps,d+2). */
static void follow(const invman_context *ctx, const trace *f, const invman_data *train, const invman_fixed_point *at,
                   size_t count, size_t k, double *ode) {
  size_t d = f->a->d, nearest = 0;
  const double *end = state_of(f, f->steps - 1, k);
  double *z = (double *)take(d, sizeof(double)), *noise = (double *)take(d + 1, sizeof(double));
  neuron_vector(end, d, z);
  attractor_distance(z, d, end[0] < 0 ? -1 : 1, at, count, &nearest);
  invman_stripe_noise(train, NULL, 0, at[nearest].z, at[nearest].sign, noise);
  check(invman_stripe_noisy_ode(ctx, NULL, 0, d, state_of(f, 0, k), noise, f->t, f->steps, ode), "neuron equations");
  free(noise);
  free(z);
}

/* The largest difference of component `c` over the first n times, as a share of its largest value. */
static double relative_difference(const trace *f, const double *ode, size_t n, size_t k, size_t c) {
  double worst = 0, size = 0;
  size_t s;
  for (s = 0; s < n; s++) {
    double real = state_of(f, s, k)[c];
    worst = fmax(worst, fabs(ode[s * (f->a->d + 2) + c] - real));
    size = fmax(size, fabs(real));
  }
  return worst / size;
}

typedef struct verdict {
  double t_star;              /* in units of tau */
  double near_share, near_by; /* neurons at an attractor: weighted by |beta| |omega|, and counted */
  double share[MOST_ATTRACTORS], by[MOST_ATTRACTORS]; /* the same for each attractor */
  double followed;    /* neurons drawn whose omega_1 and beta the equations follow within 0.1 until 0.9 t* */
  double *difference; /* (d + 2) the same for the chosen neuron: omega, b, beta */
} verdict;

static void count_arrived(const arguments *a, const invman_net *net, const invman_fixed_point *at, size_t count,
                          verdict *v) {
  double *z = (double *)take(net->h * net->d, sizeof(double)), all = 0;
  size_t n, i, nearest = 0;
  invman_neuron_vectors(net, z);
  for (n = 0; n < net->h; n++) {
    const double *w = net->w + n * net->d;
    double weight = 0;
    int arrived = attractor_distance(z + n * net->d, net->d, w[0] < 0 ? -1 : 1, at, count, &nearest) < a->distance;
    for (i = 0; i < net->d; i++) weight += w[i] * w[i];
    weight = fabs(net->beta[n]) * sqrt(weight);
    all += weight;
    v->share[nearest] += arrived ? weight : 0;
    v->by[nearest] += arrived ? 1 / (double)net->h : 0;
  }
  for (n = 0; n < count; n++) {
    v->share[n] /= all;
    v->near_share += v->share[n];
    v->near_by += v->by[n];
  }
  free(z);
}

/* ode (steps,d+2) out: the chosen neuron's */
static void compare(const invman_context *ctx, const trace *f, const invman_data *train, const invman_fixed_point *at,
                    size_t count, double *ode, verdict *v) {
  size_t d = f->a->d, n = f->steps, k, c;
  while (n > 1 && f->t[n - 1] * (double)f->a->h > 0.9 * v->t_star * f->a->tau) n--;
  v->difference = (double *)take(d + 2, sizeof(double));
  for (k = f->a->neurons; k > 0; k--) {
    follow(ctx, f, train, at, count, k, ode);
    if (relative_difference(f, ode, n, k, 0) < 0.1 && relative_difference(f, ode, n, k, d + 1) < 0.1)
      v->followed += 1 / (double)f->a->neurons;
  }
  follow(ctx, f, train, at, count, 0, ode);
  for (c = 0; c < d + 2; c++) v->difference[c] = relative_difference(f, ode, n, 0, c);
}

/* ---- what comes out */

/* name_1 to name_d, a comma before each */
static void print_names(FILE *file, const char *name, const char *tail, size_t d) {
  size_t i;
  for (i = 1; i <= d; i++) fprintf(file, ",%s_%lu%s", name, (unsigned long)i, tail);
}

static double t_over_tau(const trace *f, size_t step) { return f->t[step] * (double)f->a->h / f->a->tau; }

static void write_neuron(const trace *f, const double *ode) {
  size_t d = f->a->d, s;
  table t =
      begin_table(f->a, "neuron_vs_ode.csv", "the weights of one neuron: in the run, and by Eq. (5) and (7), _ode");
  fputs("t_over_tau", t.file);
  print_names(t.file, "omega", "", d);
  fputs(",b,beta", t.file);
  print_names(t.file, "omega", "_ode", d);
  fputs(",b_ode,beta_ode\n", t.file);
  for (s = 0; s < f->steps; s++) {
    fprintf(t.file, "%.9g", t_over_tau(f, s));
    print_values(t.file, state_of(f, s, 0), d + 2);
    print_values(t.file, ode + s * (d + 2), d + 2);
    fputc('\n', t.file);
  }
  end_table(&t);
}

/* d C_b + zeta C_1, and whether omega_1 outgrows omega_perp where a neuron stays at zeta. */
static double pull(size_t d, double zeta, int sign, int *consistent) {
  double c1, cb;
  invman_stripe_integrals(NULL, 0, zeta, sign, &c1, &cb);
  *consistent =
      sign * c1 * invman_stripe_label(NULL, 0, zeta) < 0 || fabs(c1) > 0.39894228040143267794 * exp(-0.5 * zeta * zeta);
  return (double)d * cb + zeta * c1;
}

static void write_pull(const arguments *a) {
  table t = begin_table(a, "pull.csv",
                        "pull: d C_b + zeta C_1, plus: omega_1 > 0; consistent: 1 where lambda grows without limit");
  int i;
  fputs("zeta,pull_plus,consistent_plus,pull_minus,consistent_minus\n", t.file);
  for (i = -300; i <= 300; i++) {
    double zeta = i / 100.0, plus, minus;
    int plus_holds, minus_holds;
    plus = pull(a->d, zeta, 1, &plus_holds);
    minus = pull(a->d, zeta, -1, &minus_holds);
    fprintf(t.file, "%.9g,%.9g,%d,%.9g,%d\n", zeta, plus, plus_holds, minus, minus_holds);
  }
  end_table(&t);
}

static void write_trajectories(const trace *f) {
  size_t d = f->a->d, k, s;
  double *z = (double *)take(d, sizeof(double));
  table t = begin_table(f->a, "trajectories.csv", "z: neuron vector -sqrt(d) b omega/|omega|^2");
  fputs("neuron,t_over_tau", t.file);
  print_names(t.file, "z", "", d);
  fputc('\n', t.file);
  for (k = 0; k < f->a->neurons; k++)
    for (s = 0; s < f->steps; s++) {
      neuron_vector(state_of(f, s, k + 1), d, z);
      fprintf(t.file, "%lu,%.9g", (unsigned long)f->chosen[k], t_over_tau(f, s));
      print_values(t.file, z, d);
      fputc('\n', t.file);
    }
  end_table(&t);
  free(z);
}

static void write_attractors(const arguments *a, const invman_fixed_point *at, size_t count) {
  table t = begin_table(a, "attractors.csv", "the attractors (z,0..); sign of omega_1; weights grow as exp(t/taustar)");
  size_t k;
  fputs("z,sign,C_1,taustar_over_tau\n", t.file);
  for (k = 0; k < count; k++) fprintf(t.file, "%.9g,%d,%.9g,%.9g\n", at[k].z, at[k].sign, at[k].c1, at[k].time);
  end_table(&t);
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

static void write_verdict(const arguments *a, size_t count, const verdict *v) {
  table t =
      begin_table(a, "neurons_verdict.csv",
                  "at attractors: share by |beta| |omega|, count; difference: run - equations, largest until 0.9 t*\n"
                  "# followed: those within 0.1 in omega_1 and beta; the equations have the points' fluctuation at the "
                  "attractor,\n# not the one on the way there");
  size_t i;
  fputs("quantity,value,floor,holds\n", t.file);
  print_row(t.file, "tstar_over_tau", 0, v->t_star, 0);
  print_row(t.file, "share_at_attractors", 0, v->near_share, 0.9);
  print_row(t.file, "count_at_attractors", 0, v->near_by, 0);
  for (i = 0; i < count; i++) print_row(t.file, "share_at_attractor", i + 1, v->share[i], 0);
  for (i = 0; i < count; i++) print_row(t.file, "count_at_attractor", i + 1, v->by[i], 0);
  print_row(t.file, "share_followed", 0, v->followed, 0);
  for (i = 0; i < a->d; i++) print_row(t.file, "difference_omega", i + 1, v->difference[i], 0);
  print_row(t.file, "difference_b", 0, v->difference[a->d], 0);
  print_row(t.file, "difference_beta", 0, v->difference[a->d + 1], 0);
  end_table(&t);
}

static void show(const arguments *a, const invman_fixed_point *at, size_t count, const verdict *v) {
  size_t k;
  printf("%-12s %.6g\n", "t*/tau", v->t_star);
  for (k = 0; k < count; k++)
    printf("%-12s z = %.6f, omega_1 %c 0, C_1 = %.6f, tau*/tau = %.4f: %.3f of the neurons\n", "attractor", at[k].z,
           at[k].sign > 0 ? '>' : '<', at[k].c1, at[k].time, v->by[k]);
  printf("%-12s %.4f of the weight |beta| |omega| within %g of one of them, %.3f of the neurons\n", "arrived",
         v->near_share, a->distance, v->near_by);
  printf("%-12s off by", "neuron");
  for (k = 0; k < a->d; k++) printf(" omega_%lu %.2f %%", (unsigned long)k + 1, 100 * v->difference[k]);
  printf(" b %.2f %% beta %.2f %% until 0.9 t*\n", 100 * v->difference[a->d], 100 * v->difference[a->d + 1]);
  printf("%-12s %.2f of %lu neurons within 10 %% in omega_1 and beta\n", "followed", v->followed,
         (unsigned long)a->neurons);
}

static void sample(const invman_context *ctx, const arguments *a, invman_data *train) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.d = a->d;
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(ctx, &model, a->p, &rng, train), "training points");
}

static void train_network(const invman_context *ctx, const arguments *a, const invman_data *train, trace *f,
                          invman_net *net, invman_flow_info *info) {
  invman_flow_options options;
  invman_rng rng;
  memset(&options, 0, sizeof options);
  options.alpha = a->alpha;
  options.rotation_tol = options.margin_tol = a->tol;
  options.report = report;
  options.user = f;
  memset(net, 0, sizeof *net);
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(ctx, a->h, a->d, &rng, net), "network");
  note(f, net, 0);
  check(invman_train(ctx, net, train, &options, info), "training");
  if (f->terminal) fprintf(stderr, "\r%60s\r", "");
}

static void judge(const invman_context *ctx, const trace *f, const invman_data *train, const invman_net *net,
                  double t_star) {
  const arguments *a = f->a;
  invman_fixed_point at[MOST_ATTRACTORS];
  double *ode = (double *)take(f->steps, (a->d + 2) * sizeof(double));
  size_t found;
  verdict v;
  memset(&v, 0, sizeof v);
  memset(at, 0, sizeof at);
  v.t_star = t_star / a->tau;
  check(invman_stripe_fixed_points(NULL, 0, a->d, at, MOST_ATTRACTORS, &found), "attractors");
  count_arrived(a, net, at, found, &v);
  compare(ctx, f, train, at, found, ode, &v);
  show(a, at, found, &v);
  write_neuron(f, ode);
  write_pull(a);
  write_trajectories(f);
  write_attractors(a, at, found);
  write_verdict(a, found, &v);
  free(v.difference);
  free(ode);
}

int main(int argc, char **argv) {
  static const char *const files[] = {"neuron_vs_ode.csv", "pull.csv", "trajectories.csv", "attractors.csv",
                                      "neurons_verdict.csv"};
  invman_context ctx;
  invman_flow_info info;
  invman_data train;
  invman_net net;
  arguments a;
  trace f;
  memset(&ctx, 0, sizeof ctx);
  memset(&f, 0, sizeof f);
  ctx.error = &error;
  ctx.progress = stop_if_interrupted;

  parse(argc, argv, &a);
  check_all_writable(a.out, files, sizeof files / sizeof *files);
  sample(&ctx, &a, &train);
  f.a = &a;
  f.chosen = choose_neurons(&a);
  f.terminal = isatty(fileno(stderr));

  printf("stripe, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", (unsigned long)a.d, (unsigned long)a.p,
         (unsigned long)a.h, a.alpha, (unsigned long)a.seed);
  fflush(stdout);
  signal(SIGINT, interrupt);
  train_network(&ctx, &a, &train, &f, &net, &info);
  if (info.t_star > 0) judge(&ctx, &f, &train, &net, info.t_star);
  else
    fprintf(stderr, "figure_neurons: %s; nothing is written\n",
            info.end == INVMAN_END_PROGRESS ? "interrupted" : "t* was not reached");
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free(f.chosen);
  free(f.t);
  free(f.state);
  invman_net_free(&ctx, &net);
  invman_data_free(&ctx, &train);
  return !(info.t_star > 0);
}
