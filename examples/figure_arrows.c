/* Figures 1 and 6: what the network's neurons look at, before, while and after they learn which inputs matter.

   cc -O2 -fopenmp -I.. figure_arrows.c -o figure_arrows -lm
   ./figure_arrows --out DIRECTORY */
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
    "figure_arrows - the arrows beta omega of a network's neurons at the start, at t* and at the end of training\n"
    "\n"
    "  figure_arrows [--model stripe|cylinder] [options]\n"
    "\n"
    "  --d N            inputs (stripe 2, cylinder 3)\n"
    "  --p N            training points (1000)\n"
    "  --h N            neurons (10000)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N         of points, weights and the choice of neurons (1)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --neurons N      neurons drawn, chosen at random (300, or all where there are fewer)\n"
    "  --out DIRECTORY  where the files go, made if need be (.)\n"
    "  --help, --version\n"
    "\n"
    "  arrows_MODEL.csv          the arrows, scaled by max |beta| |omega| over all neurons at that time\n"
    "  points_MODEL.csv          the training points\n"
    "  arrows_MODEL_verdict.csv  Lambda, and the informative inputs' share of the energy\n"
    "\n"
    "  figure_arrows --model cylinder --d 3 --p 1000 --h 10000\n"
    "  gnuplot -e \"dir='.'; out='arrows.svg'\" figures/arrows_cylinder.gp\n"
    "\n"
    "Exit status: 0 done; 1 interrupted, nothing is written, or t* was not reached; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("figure_arrows: ", stderr);
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
  const char *model, *out;
  size_t d, d_par, p, h, seed, neurons;
  double alpha, tol, tau;
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
  a->model = "stripe";
  a->out = ".";
  a->p = 1000;
  a->h = 10000;
  a->seed = 1;
  a->alpha = 1e-6;
  a->tol = 0.1;
}

static void set(arguments *a, const char *flag, const char *value) {
  if (!strcmp(flag, "--model")) a->model = value;
  else if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
  else if (!strcmp(flag, "--neurons")) a->neurons = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
  else if (!strcmp(flag, "--tol")) {
    a->tol = positive_number(flag, value);
    if (a->tol > 1) fail("--tol must be at most 1");
  } else fail("%s: unknown option; see --help", flag);
}

static void finish(arguments *a) {
  int cylinder = !strcmp(a->model, "cylinder");
  if (!cylinder && strcmp(a->model, "stripe")) fail("--model: '%s' is neither stripe nor cylinder", a->model);
  a->d_par = cylinder ? 2 : 1;
  if (a->d == 0) a->d = a->d_par + 1;
  if (a->d <= a->d_par) fail("--d must be at least %lu", (unsigned long)a->d_par + 1);
  if (a->neurons > a->h) fail("--neurons: there are only %lu", (unsigned long)a->h);
  if (a->neurons == 0) a->neurons = a->h < 300 ? a->h : 300;
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
      printf("figure_arrows, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
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
          "# figure_arrows --model %s --d %lu --p %lu --h %lu --alpha %.15g --seed %lu --tol %.15g --neurons %lu\n",
          a->model, (unsigned long)a->d, (unsigned long)a->p, (unsigned long)a->h, a->alpha, (unsigned long)a->seed,
          a->tol, (unsigned long)a->neurons);
  fprintf(file, "# invman.h %d.%d.%d; hinge loss; d_par = %lu; tau = h sqrt(d/2) = %.9g\n", INVMAN_VERSION_MAJOR,
          INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, (unsigned long)a->d_par, a->tau);
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

enum { START, TSTAR, END, STAGES, STREAM_CHOICE = 5 };
static const char *const stage_name[STAGES] = {"start", "tstar", "end"};

typedef struct snapshot {
  int taken;
  double t, lambda, share; /* t in units of tau; share of the energy in the informative inputs */
  double *arrow, *z;       /* (neurons,d) each */
} snapshot;

typedef struct monitor {
  const arguments *a;
  size_t *chosen; /* (neurons) */
  int terminal;
  snapshot stage[STAGES];
} monitor;

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

static double largest_arrow(const invman_net *net) {
  double most = 0;
  size_t n, i;
  for (n = 0; n < net->h; n++) {
    double square = 0;
    for (i = 0; i < net->d; i++) square += net->w[n * net->d + i] * net->w[n * net->d + i];
    most = fmax(most, fabs(net->beta[n]) * sqrt(square));
  }
  return most;
}

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

static void take_snapshot(monitor *m, int stage, const invman_net *net, double t) {
  snapshot *s = &m->stage[stage];
  size_t d = net->d, count = m->a->neurons, k, i;
  double *z = (double *)take(net->h * d, sizeof(double)), scale = 1 / largest_arrow(net);
  invman_neuron_vectors(net, z);
  s->taken = 1;
  s->t = t / m->a->tau;
  s->lambda = invman_amplification(net, m->a->d_par);
  s->share = informative_share(net, m->a->d_par);
  s->arrow = (double *)take(count * d, sizeof(double));
  s->z = (double *)take(count * d, sizeof(double));
  for (k = 0; k < count; k++) {
    size_t n = m->chosen[k];
    for (i = 0; i < d; i++) {
      s->arrow[k * d + i] = scale * net->beta[n] * net->w[n * d + i];
      s->z[k * d + i] = z[n * d + i];
    }
  }
  free(z);
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  monitor *m = (monitor *)user;
  if (info->t_star > 0 && !m->stage[TSTAR].taken) take_snapshot(m, TSTAR, net, info->t);
  if (m->terminal) show_progress(info, m->a->p, m->a->tau);
  return 0;
}

/* ---- what comes out */

/* name_1 to name_d, a comma before each */
static void print_names(FILE *file, const char *name, const char *tail, size_t d) {
  size_t i;
  for (i = 1; i <= d; i++) fprintf(file, ",%s_%lu%s", name, (unsigned long)i, tail);
}

static void write_arrows(const monitor *m, const char *name) {
  const arguments *a = m->a;
  table t = begin_table(a, name, "arrow: beta omega / max |beta| |omega|; z: neuron vector -sqrt(d) b omega/|omega|^2");
  size_t k;
  int i;
  fputs("stage,t_over_tau,neuron", t.file);
  print_names(t.file, "arrow", "", a->d);
  print_names(t.file, "z", "", a->d);
  fputc('\n', t.file);
  for (i = 0; i < STAGES; i++)
    for (k = 0; m->stage[i].taken && k < a->neurons; k++) {
      fprintf(t.file, "%s,%.9g,%lu", stage_name[i], m->stage[i].t, (unsigned long)m->chosen[k]);
      print_values(t.file, m->stage[i].arrow + k * a->d, a->d);
      print_values(t.file, m->stage[i].z + k * a->d, a->d);
      fputc('\n', t.file);
    }
  end_table(&t);
}

static void write_points(const arguments *a, const invman_data *data, const char *name) {
  table t = begin_table(a, name, "the training points, normal with standard deviation 1 in every input");
  size_t i;
  fputs("label", t.file);
  print_names(t.file, "x", "", data->d);
  fputc('\n', t.file);
  for (i = 0; i < data->n; i++) {
    fprintf(t.file, "%d", data->y[i] > 0 ? 1 : -1);
    print_values(t.file, data->x + i * data->d, data->d);
    fputc('\n', t.file);
  }
  end_table(&t);
}

static void write_verdict(const monitor *m, const char *name) {
  table t = begin_table(m->a, name, "share: sum beta^2 |omega_par|^2 / sum beta^2 |omega|^2 over all neurons");
  int i;
  fputs("stage,t_over_tau,lambda,informative_energy_share\n", t.file);
  for (i = 0; i < STAGES; i++) {
    const snapshot *s = &m->stage[i];
    if (s->taken) fprintf(t.file, "%s,%.9g,%.9g,%.9g\n", stage_name[i], s->t, s->lambda, s->share);
  }
  end_table(&t);
}

static void show(const monitor *m, const invman_flow_info *info) {
  int i;
  printf("%-12s %s: %s\n", "status", invman_status_string(info->status), invman_end_string(info->end));
  printf("%-12s %-12s %-12s %s\n", "", "t/tau", "Lambda", "informative share of the energy");
  for (i = 0; i < STAGES; i++) {
    const snapshot *s = &m->stage[i];
    if (s->taken) printf("%-12s %-12.6g %-12.4g %.6f\n", stage_name[i], s->t, s->lambda, s->share);
  }
}

static void sample(const invman_context *ctx, const arguments *a, invman_data *train) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = a->d_par == 2 ? INVMAN_CYLINDER : INVMAN_STRIPE;
  model.d = a->d;
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(ctx, &model, a->p, &rng, train), "training points");
}

static void free_monitor(monitor *m) {
  int i;
  for (i = 0; i < STAGES; i++) {
    free(m->stage[i].arrow);
    free(m->stage[i].z);
  }
  free(m->chosen);
}

static invman_flow_info train_network(const invman_context *ctx, const arguments *a, const invman_data *train,
                                      monitor *m) {
  invman_flow_options options;
  invman_flow_info info;
  invman_net net;
  invman_rng rng;
  memset(&options, 0, sizeof options);
  options.alpha = a->alpha;
  options.rotation_tol = options.margin_tol = a->tol;
  options.d_par = a->d_par;
  options.report = report;
  options.user = m;
  memset(&net, 0, sizeof net);
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(ctx, a->h, a->d, &rng, &net), "network");
  take_snapshot(m, START, &net, 0);
  check(invman_train(ctx, &net, train, &options, &info), "training");
  if (m->terminal) fprintf(stderr, "\r%60s\r", "");
  take_snapshot(m, END, &net, info.t);
  invman_net_free(ctx, &net);
  return info;
}

static const char *const stripe_files[] = {"arrows_stripe.csv", "points_stripe.csv", "arrows_stripe_verdict.csv"};
static const char *const cylinder_files[] = {"arrows_cylinder.csv", "points_cylinder.csv",
                                             "arrows_cylinder_verdict.csv"};

int main(int argc, char **argv) {
  const char *const *files = stripe_files;
  invman_context ctx;
  invman_flow_info info;
  invman_data train;
  arguments a;
  monitor m;
  memset(&ctx, 0, sizeof ctx);
  memset(&m, 0, sizeof m);
  ctx.error = &error;
  ctx.progress = stop_if_interrupted;

  parse(argc, argv, &a);
  if (a.d_par == 2) files = cylinder_files;
  check_all_writable(a.out, files, 3);
  sample(&ctx, &a, &train);
  m.a = &a;
  m.chosen = choose_neurons(&a);
  m.terminal = isatty(fileno(stderr));

  printf("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", a.model, (unsigned long)a.d, (unsigned long)a.p,
         (unsigned long)a.h, a.alpha, (unsigned long)a.seed);
  fflush(stdout);
  signal(SIGINT, interrupt);
  info = train_network(&ctx, &a, &train, &m);
  show(&m, &info);
  if (info.end == INVMAN_END_PROGRESS) {
    fputs("figure_arrows: interrupted; nothing is written\n", stderr);
  } else {
    if (!(info.t_star > 0)) fputs("figure_arrows: t* was not reached\n", stderr);
    write_arrows(&m, files[0]);
    write_points(&a, &train, files[1]);
    write_verdict(&m, files[2]);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free_monitor(&m);
  invman_data_free(&ctx, &train);
  return info.end == INVMAN_END_PROGRESS || !(info.t_star > 0);
}
