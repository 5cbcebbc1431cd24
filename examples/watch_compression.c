/* One run in the feature regime, watched: how weights and gradients turn to the directions that matter, and what the
   tangent kernel, the last layer and the linear pieces tell of that while the loss hardly moves.

   cc -O3 -fopenmp examples/watch_compression.c -I. -o watch_compression -lm
   ./watch_compression --p 411 --h 1000 --out watch.csv */
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

static const char help[] =
    "watch_compression - train a one-hidden-layer network; watch its directions, kernel and linear pieces on the way\n"
    "\n"
    "  watch_compression [--model stripe|cylinder] [options]\n"
    "\n"
    "  --d N          inputs (stripe 5, cylinder 3)\n"
    "  --p N          training points (411)\n"
    "  --h N          neurons (1000)\n"
    "  --orthogonal   first layer with W'W = h 1: Lambda is 1 at the start, not only on average (h >= d)\n"
    "  --alpha A      scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N       of points and weights (1)\n"
    "  --tol X        error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --t-max T      stop at this time t, which is h times the t/h of the table (none)\n"
    "  --every X      look again when t or Lambda has changed by this factor (1.5)\n"
    "  --kernel-n N   fresh points for the kernels (200)\n"
    "  --test-size N  test points (2000)\n"
    "  --out FILE     CSV of the table, in full precision\n"
    "  --help, --version\n"
    "\n"
    "  watch_compression --p 411 --h 1000 --out watch.csv\n"
    "  watch_compression --model cylinder --every 1.2\n"
    "\n"
    "Columns, - where one is not defined:\n"
    "  t/h, loss  time, mean hinge loss\n"
    "  Lambda     amplification of the informative inputs by the first layer's weights; Lam_g: by the metric of the\n"
    "             features, mean over 50 points\n"
    "  angle      largest, in degrees, between the informative inputs and as many first directions of sum beta^2 "
    "omega\n"
    "             omega'\n"
    "  entropy    of the tangent kernel's spectrum; d_eff: its effective dimension, ridge its mean eigenvalue\n"
    "  align      of the tangent kernel with the labels; CKA: its centred alignment with that of the start\n"
    "  NC1        of the last layer's kernel: scatter within classes over that between them\n"
    "  par, perp  neurons that switch along an informative input from -3 to 3, others at 0; along another one (means)\n"
    "  growth     of the fastest neuron, by the points below their margin: exp(growth t/h); at rest 0\n"
    "  error      share of test points with y F <= 0\n"
    "  Lam_f      as Lambda, by the gradients df/dx at the kernel's points (active subspace); not 1 at the start: the\n"
    "             signs of beta do not average out in one network\n"
    "  cells      different patterns of active neurons among the kernel's points\n"
    "\n"
    "Exit status: 0 the run ended, or stopped where it was told to; 1 it ended above zero loss; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("watch_compression: ", stderr);
  vfprintf(stderr, format, list);
  fputc('\n', stderr);
  va_end(list);
  exit(2);
}

static invman_error error;

/* Ends the program where a call of the library failed; `about`: the matter at hand. */
static void check(invman_status status, const char *about) {
  if (status >= 0) return;
  if (error.unit && error.unit[0]) fail("%s: %s (%s %lu)", about, error.what, error.unit, (unsigned long)error.place);
  fail("%s: %s", about, error.what ? error.what : invman_status_string(status));
}

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- the command line */

typedef struct arguments {
  const char *model, *out;
  size_t d, p, h, seed, kernel_n, test_size;
  double alpha, tol, t_max, every;
  int orthogonal;
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

static void parse_option(const char *flag, const char *value, arguments *a) {
  if (!strcmp(flag, "--model")) a->model = value;
  else if (!strcmp(flag, "--out")) a->out = value;
  else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
  else if (!strcmp(flag, "--kernel-n")) a->kernel_n = whole_number(flag, value, 2);
  else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
  else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
  else if (!strcmp(flag, "--t-max")) a->t_max = positive_number(flag, value);
  else if (!strcmp(flag, "--tol")) {
    a->tol = positive_number(flag, value);
    if (a->tol > 1) fail("--tol must be at most 1");
  } else if (!strcmp(flag, "--every")) {
    a->every = positive_number(flag, value);
    if (a->every <= 1) fail("--every must be above 1");
  } else fail("%s: unknown option; see --help", flag);
}

static void parse(int argc, char **argv, arguments *a) {
  int i;
  memset(a, 0, sizeof *a);
  a->model = "stripe";
  a->p = 411;
  a->h = 1000;
  a->seed = 1;
  a->every = 1.5;
  a->kernel_n = 200;
  a->test_size = 2000;
  for (i = 1; i < argc; i += 2) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--orthogonal")) { /* the one without a value */
      a->orthogonal = 1;
      i--;
      continue;
    }
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("watch_compression, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
             INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    parse_option(flag, value, a);
  }
  if (strcmp(a->model, "stripe") && strcmp(a->model, "cylinder"))
    fail("--model: '%s' is neither stripe nor cylinder", a->model);
}

/* ---- a run */

static const double unknown = (double)NAN;
static int known(double x) { return x == x; }

enum { T, LOSS, LAMBDA, LAM_G, ANGLE, ENTROPY, D_EFF, ALIGN, CKA, NC1, PAR, PERP, GROWTH, ERR, LAM_F, CELLS, COLUMNS };
static const char *const names[COLUMNS] = {"t/h", "loss", "Lambda", "Lam_g", "angle",  "entropy", "d_eff", "align",
                                           "CKA", "NC1",  "par",    "perp",  "growth", "error",   "Lam_f", "cells"};
static const char *const headers[COLUMNS] = {
    "t_over_h",  "loss",    "lambda", "lambda_g",      "angle",          "entropy", "effective_dimension",
    "alignment", "cka",     "nc1",    "crossings_par", "crossings_perp", "growth",  "test_error",
    "lambda_f",  "patterns"};

typedef struct moment {
  double value[COLUMNS];
} moment;

typedef struct run {
  invman_context ctx;
  arguments a;
  size_t d, d_par;
  invman_data train, test, fresh; /* the kernels are of the fresh points */
  invman_net net;
  invman_flow *flow;
  double *K, *K0, *work; /* (kernel_n,kernel_n): now, at the start */
  moment *moments;
  size_t count, room;
} run;

static volatile sig_atomic_t interrupted;
static void interrupt(int number) { /* the first one ends the run, the second one the program */
  interrupted = 1;
  signal(number, SIG_DFL);
}

static void draw(run *r, size_t n, uint64_t stream, const char *about, invman_data *out) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = strcmp(r->a.model, "cylinder") ? INVMAN_STRIPE : INVMAN_CYLINDER;
  model.d = r->d;
  invman_rng_seed(&rng, r->a.seed, stream);
  check(invman_data_sample(&r->ctx, &model, n, &rng, out), about);
}

static void begin(run *r) {
  int cylinder = !strcmp(r->a.model, "cylinder");
  invman_flow_options options;
  invman_rng rng;
  size_t n = r->a.kernel_n;
  memset(&options, 0, sizeof options);
  r->d = r->a.d ? r->a.d : cylinder ? 3 : 5;
  r->d_par = cylinder ? 2 : 1;
  if (r->a.orthogonal && r->a.h < r->d) fail("--orthogonal: fewer neurons than inputs");
  draw(r, r->a.p, INVMAN_STREAM_TRAIN, "training points", &r->train);
  draw(r, r->a.test_size, INVMAN_STREAM_TEST, "test points", &r->test);
  draw(r, n, INVMAN_STREAM_KERNEL, "kernel points", &r->fresh);
  invman_rng_seed(&rng, r->a.seed, INVMAN_STREAM_WEIGHTS);
  check((r->a.orthogonal ? invman_net_init_orthogonal : invman_net_init)(&r->ctx, r->a.h, r->d, &rng, &r->net),
        "network");
  options.alpha = r->a.alpha;
  options.rotation_tol = options.margin_tol = r->a.tol;
  options.t_max = r->a.t_max;
  options.d_par = r->d_par;
  check(invman_flow_create(&r->ctx, &r->net, &r->train, &options, &r->flow), "training");
  r->K = numbers(n, n);
  r->K0 = numbers(n, n);
  r->work = numbers(n, n);
  check(invman_ntk_gram(&r->ctx, &r->net, INVMAN_NTK_ALL, r->fresh.x, n, NULL, 0, r->K0), "kernel");
}

/* ---- a moment of it */

/* The labels' classes must both be there, which a few points need not have. */
static int has_both(const invman_data *data) {
  size_t i, plus = 0;
  for (i = 0; i < data->n; i++) plus += data->y[i] > 0;
  return plus > 0 && plus < data->n;
}

static void see_kernel(run *r, double *v) {
  const invman_context *ctx = &r->ctx;
  const invman_data *x = &r->fresh;
  size_t n = x->n;
  double *lambda = numbers(n, 1);
  invman_spectrum spectrum;
  invman_collapse collapse;
  check(invman_ntk_gram(ctx, &r->net, INVMAN_NTK_ALL, x->x, n, NULL, 0, r->K), "kernel");
  memcpy(r->work, r->K, n * n * sizeof(double));
  check(invman_eigvalsh(ctx, n, r->work, lambda), "spectrum");
  check(invman_spectral_measures(ctx, lambda, n, 0, 0, &spectrum), "spectrum");
  v[ENTROPY] = spectrum.entropy;
  if (spectrum.sum > 0)
    check(invman_ridge_leverage(ctx, lambda, NULL, n, spectrum.sum / (double)n, NULL, &v[D_EFF]), "spectrum");
  check(invman_target_alignment(ctx, r->K, x->y, n, &v[ALIGN]), "alignment");
  if (invman_centred_alignment(ctx, r->K, r->K0, n, 0, &v[CKA]) < 0) v[CKA] = unknown;
  free(lambda);
  if (!has_both(x)) return;
  check(invman_ntk_gram(ctx, &r->net, INVMAN_NTK_LAST_LAYER, x->x, n, NULL, 0, r->work), "kernel");
  check(invman_neural_collapse(ctx, r->work, x->y, n, &collapse), "collapse");
  v[NC1] = collapse.nc1_trace;
}

enum { METRIC_POINTS = 50 };

static void see_directions(run *r, double *v) {
  const invman_context *ctx = &r->ctx;
  size_t d = r->d, k = r->d_par, n = r->fresh.n, i;
  double *C = numbers(d, d), *lambda = numbers(d, 1), *axes = numbers(k, d), *theta = numbers(d, 1);
  double *lambda_g = numbers(n, 1);
  invman_angles angles;
  if (n > METRIC_POINTS) n = METRIC_POINTS;
  if (d > k) {
    v[LAMBDA] = invman_amplification(&r->net, k);
    check(invman_pullback_metric(ctx, &r->net, r->fresh.x, n, k, NULL, NULL, lambda_g), "metric");
    for (v[LAM_G] = 0, i = 0; i < n; i++) v[LAM_G] += lambda_g[i] / (double)n;
  }
  check(invman_weight_covariance(ctx, &r->net, 1, C), "directions");
  check(invman_eigh(ctx, d, C, lambda), "directions");
  for (i = 0; i < k * d; i++) axes[i] = i / d == i % d;
  check(invman_principal_angles(ctx, C, k, axes, k, d, theta, &angles), "directions");
  v[ANGLE] = angles.largest * 180 / acos(-1.0);
  free(C);
  free(lambda);
  free(axes);
  free(theta);
  free(lambda_g);
}

/* Weights may turn that no output needs; the gradients tell what f itself depends on. */
static void see_gradients(run *r, double *v) {
  size_t d = r->d, n = r->fresh.n;
  double *grad = numbers(n, d), *C = numbers(d, d);
  check(invman_input_gradient(&r->ctx, &r->net, r->fresh.x, n, grad), "gradients");
  check(invman_active_subspace(&r->ctx, grad, n, d, 0, C, NULL, NULL, NULL), "gradients");
  if (d > r->d_par) v[LAM_F] = invman_metric_amplification(C, d, r->d_par);
  free(grad);
  free(C);
}

enum { REACH = 3 }; /* of a segment along an input, to both sides */

/* Mean number of neurons that switch along the inputs from `first` up to `end`. */
static double crossings(run *r, size_t first, size_t end) {
  double *a = numbers(2, r->d), *b = a + r->d, *t = numbers(r->net.h, 1), sum = 0;
  size_t i, j, count;
  for (i = first; i < end; i++) {
    for (j = 0; j < r->d; j++) a[j] = -(b[j] = j == i ? REACH : 0);
    check(invman_linear_regions(&r->ctx, &r->net, a, b, t, &count), "pieces");
    sum += (double)count;
  }
  free(a);
  free(t);
  return end > first ? sum / (double)(end - first) : unknown;
}

/* Points with the same active neurons share a linear piece of the network. */
static double cells(run *r) {
  size_t count;
  check(invman_activation_patterns(&r->ctx, &r->net, r->fresh.x, r->fresh.n, &count), "pieces");
  return (double)count;
}

/* Points push as long as they are below their margin; what those that slide along it push is not told, and left out. */
static double growth(run *r) {
  size_t p = r->train.n, h = r->net.h, i;
  double *g = numbers(p, 1), *rate = numbers(h, 1), top = 0;
  check(invman_flow_predict(r->flow, r->train.x, p, g), "prediction");
  for (i = 0; i < p; i++) g[i] = r->train.y[i] * g[i] < 1 - 2e-3; /* as the flow's own margin_stop */
  check(invman_growth_rates(&r->ctx, &r->net, &r->train, g, rate, NULL), "growth");
  for (i = 0; i < h; i++) top = rate[i] > top ? rate[i] : top;
  free(g);
  free(rate);
  return (double)h * top;
}

static double test_error(run *r) {
  double *F = numbers(r->test.n, 1);
  size_t i, wrong = 0;
  check(invman_flow_predict(r->flow, r->test.x, r->test.n, F), "prediction");
  for (i = 0; i < r->test.n; i++) wrong += !(r->test.y[i] * F[i] > 0);
  free(F);
  return (double)wrong / (double)r->test.n;
}

static int width_of(int c) {
  return c == T || c == LOSS ? 10 : c == CELLS ? 5 : c == D_EFF || c == CKA ? 6 : 7; /* 130 in all */
}

static void show_moment(const moment *m) {
  static const int digits[COLUMNS] = {5, 5, 4, 4, 3, 4, 4, 3, 4, 4, 4, 4, 3, 3, 4, 5};
  int c;
  for (c = 0; c < COLUMNS; c++) {
    if (!known(m->value[c])) printf(" %*s", width_of(c), "-");
    else if (m->value[c] > DBL_MAX) printf(" %*s", width_of(c), "inf");
    else printf(" %*.*g", width_of(c), digits[c], m->value[c]);
  }
  putchar('\n');
  fflush(stdout);
}

static void look(run *r) {
  const invman_flow_info *info = invman_flow_get_info(r->flow);
  moment *m;
  int c;
  if (r->count == r->room) {
    r->room = r->room ? 2 * r->room : 64;
    r->moments = (moment *)realloc(r->moments, r->room * sizeof(moment));
    if (!r->moments) fail("out of memory");
  }
  m = &r->moments[r->count++];
  for (c = 0; c < COLUMNS; c++) m->value[c] = unknown;
  m->value[T] = info->t / (double)r->net.h;
  m->value[LOSS] = info->loss;
  see_directions(r, m->value);
  see_gradients(r, m->value);
  see_kernel(r, m->value);
  m->value[PAR] = crossings(r, 0, r->d_par);
  m->value[PERP] = crossings(r, r->d_par, r->d);
  m->value[GROWTH] = growth(r);
  if (info->t > 0) m->value[ERR] = test_error(r);
  m->value[CELLS] = cells(r);
  show_moment(m);
}

/* ---- all of it */

static int has_changed(const run *r, double t, double lambda) {
  const double *last = r->moments[r->count - 1].value;
  double h = (double)r->net.h, by = r->a.every;
  if (t >= by * last[T] * h) return 1;
  return last[LAMBDA] <= DBL_MAX && (lambda >= by * last[LAMBDA] || lambda <= last[LAMBDA] / by); /* not if unknown */
}

static invman_status train(run *r) {
  const invman_flow_info *info = invman_flow_get_info(r->flow);
  look(r);
  while (info->end == INVMAN_END_NONE && !interrupted) {
    check(invman_flow_step(r->flow), "training");
    if (has_changed(r, info->t, info->lambda)) look(r);
  }
  if (r->moments[r->count - 1].value[T] < info->t / (double)r->net.h) look(r);
  return info->status;
}

static void show_setting(const run *r) {
  double angle = 2 * atan((double)REACH / sqrt((double)r->d)), regions = invman_region_bound(r->net.h, r->d);
  int c;
  printf("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu; kernels of %lu other points\n", r->a.model,
         (unsigned long)r->d, (unsigned long)r->train.n, (unsigned long)r->net.h, r->a.alpha > 0 ? r->a.alpha : 1e-6,
         (unsigned long)r->a.seed, (unsigned long)r->fresh.n);
  printf("at the start%s 1, par and perp h theta/pi = %.4g; ",
         r->a.orthogonal ? ": Lambda 1, on average Lam_g" : ", on average: Lambda and Lam_g",
         (double)r->net.h * angle / acos(-1.0));
  printf("always: entropy <= ln n = %.4g, d_eff <= n/2\n", log((double)r->fresh.n));
  printf("cells: at most one per point; h hyperplanes cut R^d into ");
  if (regions <= DBL_MAX) printf("%.4g regions at most\n\n", regions);
  else printf("more regions than a number holds (their bound is infinite)\n\n");
  for (c = 0; c < COLUMNS; c++) printf(" %*s", width_of(c), names[c]);
  putchar('\n');
  fflush(stdout);
}

static char *temporary(const char *path) {
  size_t length = strlen(path);
  char *name = (char *)malloc(length + 5);
  if (!name) fail("out of memory");
  memcpy(name, path, length);
  memcpy(name + length, ".tmp", 5);
  return name;
}

/* Fails now, and not after hours, where the file will not be written; leaves nothing behind. */
static void check_writable(const char *path) {
  char *name = temporary(path);
  FILE *file = fopen(name, "wb");
  if (!file || fclose(file) != 0) fail("%s: cannot be created", path);
  remove(name);
  free(name);
}

/* Under a temporary name first: what is called `path` is whole. */
static void write_csv(const run *r, const char *path) {
  char *name = temporary(path);
  FILE *file = fopen(name, "wb");
  size_t i;
  int c, bad;
  if (!file) fail("%s: cannot be created", path);
  fprintf(file,
          "# watch_compression, invman.h %d.%d.%d: %s, d = %lu, d_par = %lu, p = %lu, h = %lu, alpha = %g, seed %lu, ",
          INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, r->a.model, (unsigned long)r->d,
          (unsigned long)r->d_par, (unsigned long)r->train.n, (unsigned long)r->net.h,
          r->a.alpha > 0 ? r->a.alpha : 1e-6, (unsigned long)r->a.seed);
  fprintf(file, "%lu kernel points, %lu test points%s\n", (unsigned long)r->fresh.n, (unsigned long)r->test.n,
          r->a.orthogonal ? ", orthogonal at the start" : "");
  fprintf(file, "# %s: %s\n", invman_status_string(invman_flow_get_info(r->flow)->status),
          interrupted ? "interrupted" : invman_end_string(invman_flow_get_info(r->flow)->end));
  for (c = 0; c < COLUMNS; c++) fprintf(file, "%s%s", c ? "," : "", headers[c]);
  fputc('\n', file);
  for (i = 0; i < r->count; i++) {
    for (c = 0; c < COLUMNS; c++) {
      double value = r->moments[i].value[c];
      if (c) fputc(',', file);
      if (known(value)) fprintf(file, value > DBL_MAX ? "inf" : "%.9g", value);
    }
    fputc('\n', file);
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

int main(int argc, char **argv) {
  static run r;
  const invman_flow_info *info;
  invman_status status;
  r.ctx.error = &error;
  parse(argc, argv, &r.a);
  begin(&r);
  if (r.a.out) check_writable(r.a.out);
  show_setting(&r);
  signal(SIGINT, interrupt);
  status = train(&r);
  info = invman_flow_get_info(r.flow);
  printf("\n%s: %s\n", invman_status_string(status), interrupted ? "interrupted" : invman_end_string(info->end));
  if (info->t_star > 0) printf("t*/h %.6g, Lambda* %.4g\n", info->t_star / (double)r.net.h, info->lambda_star);
  if (r.a.out) {
    write_csv(&r, r.a.out);
    printf("%s is written\n", r.a.out);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  invman_flow_free(r.flow);
  invman_net_free(&r.ctx, &r.net);
  invman_data_free(&r.ctx, &r.train);
  invman_data_free(&r.ctx, &r.test);
  invman_data_free(&r.ctx, &r.fresh);
  free(r.K);
  free(r.K0);
  free(r.work);
  free(r.moments);
  return status == INVMAN_OK || status == INVMAN_STOPPED ? 0 : 1;
}
