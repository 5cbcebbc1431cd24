/* The main job as a program: trains a network in the feature regime on labelled points, to zero hinge loss, and shows
   how much it compressed the directions that do not matter.

   cc -O2 -fopenmp -I.. compress.c -o compress -lm
   ./compress --help */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, isatty */
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
#include <time.h>
#ifdef _WIN32
#include <io.h>
#define isatty _isatty
#define fileno _fileno
#else
#include <unistd.h>
#endif

static const char help[] =
    "compress - train a one-hidden-layer network by the hinge gradient flow; measure how it compresses its input\n"
    "\n"
    "  compress [--model stripe|cylinder] [options]   points of the paper's models\n"
    "  compress --csv FILE [options]                  own points: a line each, numbers, the label -1 or +1 last\n"
    "  compress --idx IMAGES LABELS [options]         images in IDX files (MNIST's, unpacked): even or odd digit\n"
    "\n"
    "  --d N            inputs (stripe 5, cylinder 3)\n"
    "  --d-par N        informative inputs, the first ones (stripe 1, cylinder 2; csv: Lambda is shown where given)\n"
    "  --p N            training points (models 411; files 1000, but at most half of the points)\n"
    "  --h N            neurons (1000)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N         of points, weights and the choice of training points (1)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --test-size N    test points (models 10000; files: all that are left)\n"
    "  --t-max T        stop at this time t, which is h times the t/h of the table (none)\n"
    "  --jsonl FILE     one JSON object per report: step, t, dt, loss, test error, Lambda, sliding, unsatisfied;\n"
    "                   a resumed run is appended\n"
    "  --every N        steps between reports (10)\n"
    "  --pgm FILE       images: a picture of the energy that the network kept per pixel\n"
    "  --save FILE      save the run where it ends; Ctrl-C ends it early\n"
    "  --resume FILE    go on from there: give the same data, alpha and h\n"
    "  --help, --version\n"
    "\n"
    "  compress --d 5 --p 411 --h 10000\n"
    "  compress --model cylinder --d 3 --p 1000 --jsonl run.jsonl\n"
    "  compress --csv points.csv --p 500\n"
    "  compress --idx t10k-images-idx3-ubyte t10k-labels-idx1-ubyte --p 1000 --pgm kept.pgm\n"
    "\n"
    "The last lines are of the labels alone, before training: the directions that first and second moments of labels\n"
    "and inputs show above chance (Stein's lemma). Of a label that depends on products of three inputs only they show\n"
    "nothing.\n"
    "\n"
    "Exit status: 0 the run ended, or stopped where it was told to; 1 it ended above zero loss; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("compress: ", stderr);
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

typedef struct arguments {
  const char *model, *csv, *images, *labels, *jsonl, *pgm, *save, *resume;
  size_t d, d_par, p, h, seed, test_size, every;
  double alpha, tol, t_max;
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

static void parse(int argc, char **argv, arguments *a) {
  int i;
  memset(a, 0, sizeof *a);
  a->h = 1000;
  a->seed = 1;
  a->every = 10;
  for (i = 1; i < argc; i++) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("compress, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    i++;
    if (!strcmp(flag, "--model")) a->model = value;
    else if (!strcmp(flag, "--csv")) a->csv = value;
    else if (!strcmp(flag, "--idx")) {
      if (++i >= argc) fail("--idx needs two files: images and labels");
      a->images = value;
      a->labels = argv[i];
    } else if (!strcmp(flag, "--jsonl")) a->jsonl = value;
    else if (!strcmp(flag, "--pgm")) a->pgm = value;
    else if (!strcmp(flag, "--save")) a->save = value;
    else if (!strcmp(flag, "--resume")) a->resume = value;
    else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--d-par")) a->d_par = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
    else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--every")) a->every = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
    else if (!strcmp(flag, "--tol")) {
      a->tol = positive_number(flag, value);
      if (a->tol > 1) fail("--tol must be at most 1");
    } else if (!strcmp(flag, "--t-max")) a->t_max = positive_number(flag, value);
    else fail("%s: unknown option; see --help", flag);
  }
  if ((a->model != NULL) + (a->csv != NULL) + (a->images != NULL) > 1) fail("give one of --model, --csv and --idx");
  if (a->d && (a->csv || a->images)) fail("--d: the file sets the number of inputs");
  if (a->d_par && a->images) fail("--d-par: images have no known informative inputs");
  if (a->pgm && !a->images) fail("--pgm: only images make a picture");
}

/* ---- the data */

typedef struct problem {
  invman_data all;         /* of a file */
  invman_data train, test; /* of a model, or views of `all` */
  size_t d_par;            /* 0: unknown */
  size_t shape[3];         /* of an image */
  char about[64];
} problem;

static void sample(const invman_context *ctx, const arguments *a, problem *q) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  if (a->model && !strcmp(a->model, "cylinder")) model.kind = INVMAN_CYLINDER;
  else if (a->model && strcmp(a->model, "stripe")) fail("--model: '%s' is neither stripe nor cylinder", a->model);
  model.d = a->d ? a->d : model.kind == INVMAN_CYLINDER ? 3 : 5;
  model.d_par = a->d_par;
  q->d_par = a->d_par ? a->d_par : model.kind == INVMAN_CYLINDER ? 2 : 1;
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(ctx, &model, a->p ? a->p : 411, &rng, &q->train), "training points");
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TEST);
  check(invman_data_sample(ctx, &model, a->test_size ? a->test_size : 10000, &rng, &q->test), "test points");
  snprintf(q->about, sizeof q->about, "%s", model.kind == INVMAN_CYLINDER ? "cylinder" : "stripe");
}

static void load(const invman_context *ctx, const arguments *a, problem *q) {
  const char *path = a->csv ? a->csv : a->images;
  invman_rng rng;
  size_t p, left;
  if (a->csv) {
    check(invman_data_read_csv(ctx, a->csv, &q->all), a->csv);
  } else {
    invman_idx_options options;
    invman_status status;
    memset(&options, 0, sizeof options);
    options.centre = 1;
    options.shape = q->shape;
    status = invman_data_read_idx(ctx, a->images, a->labels, &options, &q->all);
    check(status, error.what && strncmp(error.what, "labels", 6) == 0 ? a->labels : a->images);
  }
  p = a->p ? a->p : q->all.n < 2000 ? (q->all.n + 1) / 2 : 1000;
  if (p > q->all.n) fail("%s: --p %lu, but only %lu points", path, (unsigned long)p, (unsigned long)q->all.n);
  if (a->d_par > q->all.d)
    fail("%s: --d-par %lu, but only %lu inputs", path, (unsigned long)a->d_par, (unsigned long)q->all.d);
  left = q->all.n - p;
  if (a->test_size > left)
    fail("%s: --test-size %lu, but only %lu points are left", path, (unsigned long)a->test_size, (unsigned long)left);
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&q->all, &rng);
  q->train = q->test = q->all;
  q->train.n = p;
  q->test.n = a->test_size ? a->test_size : left;
  q->test.x += p * q->all.d;
  q->test.y += p;
  q->d_par = a->d_par;
  snprintf(q->about, sizeof q->about, "%s", a->csv ? "csv" : "images");
}

static void free_problem(const invman_context *ctx, problem *q) {
  if (q->all.x) {
    invman_data_free(ctx, &q->all);
  } else {
    invman_data_free(ctx, &q->train);
    invman_data_free(ctx, &q->test);
  }
}

/* ---- while it runs */

typedef struct monitor {
  FILE *jsonl;
  size_t p;
  int terminal, lambda;
} monitor;

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

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void json_number(FILE *file, const char *name, double value, int known) {
  if (known && value <= DBL_MAX) fprintf(file, ", \"%s\": %.17g", name, value);
  else fprintf(file, ", \"%s\": null", name);
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  const monitor *m = (const monitor *)user;
  if (m->jsonl) {
    fprintf(m->jsonl, "{\"step\": %lu", (unsigned long)info->step);
    json_number(m->jsonl, "t", info->t, 1);
    json_number(m->jsonl, "dt", info->dt, 1);
    json_number(m->jsonl, "loss", info->loss, 1);
    json_number(m->jsonl, "test_error", info->test_error, info->test_error >= 0);
    json_number(m->jsonl, "lambda", info->lambda, m->lambda);
    fprintf(m->jsonl, ", \"sliding\": %lu, \"unsatisfied\": %lu}\n", (unsigned long)info->sliding,
            (unsigned long)info->unsatisfied);
    fflush(m->jsonl);
  }
  if (m->terminal) {
    fprintf(stderr, "\r%5.1f %% satisfied   t/h %-10.4g", 100 - 100 * (double)info->unsatisfied / (double)m->p,
            info->t / (double)net->h);
    if (m->lambda) fprintf(stderr, " Lambda %-8.4g", info->lambda);
    fflush(stderr);
  }
  return 0;
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

/* The share of points with y F <= 0. */
static double error_share(const invman_flow *flow, const invman_data *data) {
  double *F = (double *)malloc(data->n * sizeof(double));
  size_t i, wrong = 0;
  if (!F) fail("out of memory");
  check(invman_flow_predict(flow, data->x, data->n, F), "prediction");
  for (i = 0; i < data->n; i++) wrong += !(data->y[i] * F[i] > 0);
  free(F);
  return (double)wrong / (double)data->n;
}

static void table(const invman_flow *flow, const problem *q, double h, double took) {
  const invman_flow_info *info = invman_flow_get_info(flow);

  printf("%-12s %s: %s\n", "status", invman_status_string(info->status), invman_end_string(info->end));
  printf("%-12s %.6g\n", "t/h", info->t / h);
  if (info->t_star > 0) printf("%-12s %.6g\n", "t*/h", info->t_star / h);
  else printf("%-12s not reached\n", "t*/h");
  if (q->d_par > 0 && q->d_par < q->train.d) {
    if (info->t_star > 0) printf("%-12s %.4g\n", "Lambda*", info->lambda_star);
    else printf("%-12s not reached\n", "Lambda*");
    printf("%-12s %.4g\n", "Lambda_max", info->lambda_max);
  }
  printf("%-12s %.6f\n", "train loss", info->loss);
  printf("%-12s %.4f (%lu points)\n", "train error", error_share(flow, &q->train), (unsigned long)q->train.n);
  if (q->test.n > 0)
    printf("%-12s %.4f (%lu points)\n", "test error", error_share(flow, &q->test), (unsigned long)q->test.n);
  printf("%-12s %lu (%lu rejected, %lu events)\n", "steps", (unsigned long)info->step, (unsigned long)info->rejected,
         (unsigned long)info->events);
  printf("%-12s %.1f\n", "seconds", took);
}

typedef struct share {
  double energy;
  size_t input;
} share;

static int larger_first(const void *a, const void *b) {
  const share *s = (const share *)a, *t = (const share *)b;
  return s->energy != t->energy ? (s->energy < t->energy) - (s->energy > t->energy)
                                : (s->input > t->input) - (s->input < t->input);
}

/* The share of first-layer energy per input, sum over neurons of beta^2 omega_j^2: what the network kept. */
static share *energy_shares(const invman_net *net) {
  share *s = (share *)malloc(net->d * sizeof(share));
  size_t n, j;
  double total = 0;
  if (!s) fail("out of memory");
  for (j = 0; j < net->d; j++) {
    s[j].energy = 0;
    s[j].input = j;
    for (n = 0; n < net->h; n++) {
      double v = net->beta[n] * net->w[n * net->d + j];
      s[j].energy += v * v;
    }
    total += s[j].energy;
  }
  for (j = 0; j < net->d; j++) s[j].energy = total > 0 ? s[j].energy / total : 0;
  return s;
}

static void write_picture(const char *path, const share *s, const size_t shape[3]) {
  size_t pixels = shape[1] * shape[2], i, c, length = strlen(path);
  char *name = (char *)malloc(length + 5);
  unsigned char *grey = (unsigned char *)malloc(pixels);
  double *energy = (double *)calloc(pixels, sizeof(double)), most = 0;
  FILE *file;
  int bad;
  if (!name || !grey || !energy) fail("out of memory");
  for (i = 0; i < pixels; i++) {
    for (c = 0; c < shape[0]; c++) energy[i] += s[c * pixels + i].energy;
    if (energy[i] > most) most = energy[i];
  }
  for (i = 0; i < pixels; i++) grey[i] = (unsigned char)(most > 0 ? 255 * energy[i] / most + 0.5 : 0);
  memcpy(name, path, length);
  memcpy(name + length, ".tmp", 5);
  file = fopen(name, "wb");
  if (!file) fail("%s: cannot be created", path);
  fprintf(file, "P5\n%lu %lu\n255\n", (unsigned long)shape[2], (unsigned long)shape[1]);
  bad = fwrite(grey, 1, pixels, file) != pixels;
  bad |= fclose(file) != 0;
#ifdef _WIN32
  if (!bad) remove(path);
#endif
  if (bad || rename(name, path) != 0) {
    remove(name);
    fail("%s: cannot be written", path);
  }
  free(energy);
  free(grey);
  free(name);
}

static void show_energy(const arguments *a, const invman_net *net, const problem *q) {
  share *s = energy_shares(net);
  size_t shown = net->d < 20 ? net->d : 20, j;
  if (a->pgm) write_picture(a->pgm, s, q->shape);
  qsort(s, net->d, sizeof *s, larger_first);
  printf("\nshare of first-layer energy%s\n", shown < net->d ? ", the first twenty" : "");
  for (j = 0; j < shown; j++) {
    char name[64];
    size_t i = s[j].input, width = q->shape[2];
    if (a->images)
      snprintf(name, sizeof name, "pixel %lu,%lu", (unsigned long)(i / width % q->shape[1]),
               (unsigned long)(i % width));
    else snprintf(name, sizeof name, "x%lu", (unsigned long)(i + 1));
    printf("%-12s %.4f\n", name, s[j].energy);
  }
  if (a->pgm) printf("picture      %s\n", a->pgm);
  free(s);
}

/* ---- the informative directions, as the labels alone show them before any training */

enum { PERMUTATIONS = 19, STREAM_PERMUTATIONS = 6, DIRECTIONS = 5, COMPONENTS = 4, MOST_INPUTS = 200 };

typedef struct directions {
  const char *skipped;            /* why there are none; NULL: there are */
  size_t inputs, lost;            /* of the whitened points; those without variance */
  size_t found;                   /* those that rest on a few points among them */
  double noise, *strength, *form; /* form (inputs,d): linear forms of norm 1 of the inputs as they are */
  unsigned char *rare;            /* (d) inputs that have one value but in a few points */
  unsigned char *few;             /* (inputs) directions along which a few points have most of the variance */
} directions;

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc((rows * columns + 1) * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

static int descending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x < y) - (x > y);
}

/* How many points are a few, of n. */
static size_t a_few(size_t n) {
  size_t few = n / 100 > 4 ? n / 100 : 4;
  return few < n / 10 ? few : n / 10;
}

/* Whether a few points have most of the variance of x_0, x_stride, ..: their labels alone would make a moment, which no
   permutation of the others changes. */
static int rests_on_few(const double *x, size_t n, size_t stride) {
  double *square = numbers(n, 1), mean = 0, all = 0, most = 0;
  size_t i;
  for (i = 0; i < n; i++) mean += (x[i * stride] - x[0]) / (double)n;
  for (i = 0; i < n; i++) {
    double off = x[i * stride] - x[0] - mean;
    all += square[i] = off * off;
  }
  qsort(square, n, sizeof *square, descending);
  for (i = 0; i < a_few(n); i++) most += square[i];
  free(square);
  return 2 * most > all;
}

/* Whether x_0, x_stride, .. have one value but in a few points, or in up to a twentieth of which a few have most of the
   variance. */
static int is_rare(const double *x, size_t n, size_t stride) {
  double *sorted = numbers(n, 1);
  size_t i, run = 0, longest = 0;
  for (i = 0; i < n; i++) sorted[i] = x[i * stride];
  qsort(sorted, n, sizeof *sorted, descending);
  for (i = 0; i < n; i++) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    longest = run > longest ? run : longest;
  }
  free(sorted);
  return n - longest <= a_few(n) || (n - longest <= n / 20 && rests_on_few(x, n, stride));
}

/* The deviation of x_0, x_stride, ..; 0 where they differ by no more than rounding. */
static double deviation(const double *x, size_t n, size_t stride) {
  double mean = 0, square = 0, least = x[0], most = x[0];
  size_t i;
  for (i = 0; i < n; i++) {
    least = fmin(least, x[i * stride]);
    most = fmax(most, x[i * stride]);
    mean += (x[i * stride] - x[0]) / (double)n;
  }
  if (!(most - least > 8 * DBL_EPSILON * fmax(fabs(least), fabs(most)))) return 0;
  for (i = 0; i < n; i++) square += pow((x[i * stride] - x[0] - mean) / (most - least), 2) / (double)n;
  return (most - least) * sqrt(square);
}

/* The inputs that vary, in units of their own deviation, without the rare ones: of each what it is, of[], and its unit.
   An input's size says nothing about its variance. */
static invman_data comparable(const invman_data *data, size_t *of, double *unit, directions *out) {
  invman_data s = *data;
  size_t i, j;
  for (s.d = j = 0; j < data->d; j++) {
    double width = deviation(data->x + j, data->n, data->d);
    out->lost += !(width > 0);
    out->rare[j] = width > 0 && is_rare(data->x + j, data->n, data->d);
    if (!(width > 0) || out->rare[j]) continue;
    of[s.d] = j;
    unit[s.d++] = width;
  }
  s.x = numbers(data->n, s.d);
  for (i = 0; i < data->n; i++)
    for (j = 0; j < s.d; j++) s.x[i * s.d + j] = (data->x[i * data->d + of[j]] - data->x[of[j]]) / unit[j];
  return s;
}

/* C (d,d) <- W, whose first rows, as many as are returned, are the whitening forms eigenvector/sqrt(eigenvalue) of the
   points' covariance; those of no variance are left out. mean (d): of the points. */
static size_t whitening(const invman_context *ctx, const invman_data *data, double *mean, double *C) {
  size_t n = data->n, d = data->d, i, j, k, rank;
  double *lambda = numbers(d, 1);
  for (j = 0; j < d; j++)
    for (mean[j] = 0, i = 0; i < n; i++) mean[j] += data->x[i * d + j] / (double)n;
  for (j = 0; j < d; j++)
    for (k = j; k < d; k++) {
      double sum = 0;
      for (i = 0; i < n; i++) sum += (data->x[i * d + j] - mean[j]) * (data->x[i * d + k] - mean[k]) / (double)n;
      C[j * d + k] = C[k * d + j] = sum;
    }
  check(invman_eigh(ctx, d, C, lambda), "covariance of the inputs");
  for (rank = 0; rank < d && lambda[rank] > 1e-10 * lambda[0] && lambda[rank] > 0; rank++)
    for (j = 0; j < d; j++) C[rank * d + j] /= sqrt(lambda[rank]);
  free(lambda);
  return rank;
}

/* z (n,rank) = W (x - mean) */
static invman_data whitened(const invman_data *data, const double *mean, const double *W, size_t rank) {
  invman_data z = *data;
  size_t i, k, j;
  z.d = rank;
  z.x = numbers(data->n, rank);
  for (i = 0; i < data->n; i++)
    for (k = 0; k < rank; k++) {
      double sum = 0;
      for (j = 0; j < data->d; j++) sum += W[k * data->d + j] * (data->x[i * data->d + j] - mean[j]);
      z.x[i * rank + k] = sum;
    }
  return z;
}

/* v.z is a linear form W'v of the inputs that are used, and of x where these are taken in their units; scaled to norm
   1. form (d) */
static void form_of(const double *v, const double *W, size_t rank, const invman_data *used, const size_t *of,
                    const double *unit, size_t d, double *form) {
  double norm = 0;
  size_t k, j;
  memset(form, 0, d * sizeof *form);
  for (j = 0; j < used->d; j++) {
    double sum = 0;
    for (k = 0; k < rank; k++) sum += v[k] * W[k * used->d + j];
    form[of[j]] = sum / unit[j];
    norm = hypot(norm, form[of[j]]);
  }
  for (j = 0; j < d && norm > 0; j++) form[j] /= norm;
}

/* Of points z that are N(0,1), or as near to it as whitening makes them */
static void search(const invman_context *ctx, const arguments *a, const invman_data *z, double *V, directions *out) {
  double *along = numbers(z->n, 1);
  invman_rng rng;
  size_t i, j, k;
  out->strength = numbers(z->d, 1);
  invman_rng_seed(&rng, a->seed, STREAM_PERMUTATIONS);
  check(invman_stein_directions(ctx, z, PERMUTATIONS, &rng, out->strength, V, &out->noise, &out->found),
        "informative directions");
  for (k = 0; k < out->found; k++) {
    for (i = 0; i < z->n; i++)
      for (along[i] = 0, j = 0; j < z->d; j++) along[i] += V[k * z->d + j] * z->x[i * z->d + j];
    out->few[k] = (unsigned char)rests_on_few(along, z->n, 1);
  }
  free(along);
}

/* Stein's lemma asks for x ~ N(0,1). A model's points are; those of a file are centred and whitened, which makes them
   so where they are Gaussian, and else is the best that two moments can do. */
static void find_directions(const invman_context *ctx, const arguments *a, const invman_data *data, directions *out) {
  size_t d = data->d, j, k, *of;
  double *mean, *W, *V, *unit;
  invman_data used = *data, z;
  memset(out, 0, sizeof *out);
  if (a->images) out->skipped = "pixels are far from Gaussian";
  else if (d > MOST_INPUTS) out->skipped = "more than 200 inputs";
  else if (data->n / 5 < d) out->skipped = "fewer than five training points per input";
  if (out->skipped) return;
  mean = numbers(d, 1);
  unit = numbers(d, 1);
  W = numbers(d, d);
  of = (size_t *)calloc(d, sizeof *of);
  out->rare = (unsigned char *)calloc(2 * d, 1);
  if (!of || !out->rare) fail("out of memory");
  out->few = out->rare + d;
  for (j = 0; j < d * d; j++) W[j] = j / d == j % d;
  for (j = 0; j < d; j++) of[j] = j, unit[j] = 1;
  if (a->csv) used = comparable(data, of, unit, out);
  out->inputs = a->csv && used.d > 0 ? whitening(ctx, &used, mean, W) : used.d;
  out->lost += used.d - out->inputs;
  if (used.d == 0) out->skipped = out->lost == d ? "all points are equal" : "no input varies in more than a few points";
  z = used;
  if (out->inputs > 0) {
    if (a->csv) z = whitened(&used, mean, W, out->inputs);
    V = numbers(out->inputs, out->inputs);
    out->form = numbers(out->inputs, d);
    search(ctx, a, &z, V, out);
    for (k = 0; k < out->inputs; k++)
      form_of(V + k * out->inputs, W, out->inputs, &used, of, unit, d, out->form + k * d);
    free(V);
  }
  if (z.x != used.x) free(z.x);
  if (used.x != data->x) free(used.x);
  free(mean);
  free(unit);
  free(W);
  free(of);
}

/* The largest components of a form, one after the other. */
static void show_form(const double *form, size_t d) {
  size_t shown, j, last = d;
  for (shown = 0; shown < COMPONENTS && shown < d; shown++) {
    size_t most = d;
    for (j = 0; j < d; j++) {
      int left = last == d || fabs(form[j]) < fabs(form[last]) || (fabs(form[j]) == fabs(form[last]) && j > last);
      if (left && (most == d || fabs(form[j]) > fabs(form[most]))) most = j;
    }
    if (shown > 0 && fabs(form[most]) < 0.1) break;
    printf("  %+.3f x%lu", form[most], (unsigned long)most + 1);
    last = most;
  }
  putchar('\n');
}

static void show_rare(const directions *s, const invman_data *data) {
  size_t j, count = 0, shown = 0;
  for (j = 0; j < data->d; j++) count += s->rare[j];
  if (count == 0) return;
  printf("%-12s", "rare");
  for (j = 0; j < data->d && shown < 2 * DIRECTIONS; j++)
    if (s->rare[j]) shown += (size_t)(printf(" x%lu", (unsigned long)j + 1) > 0);
  if (count > shown) printf(" and %lu more", (unsigned long)(count - shown));
  printf(": one value but in a few points, which says little of any other; left out\n");
}

static void show_directions(const arguments *a, const directions *s, const invman_data *data) {
  size_t k, shown = 0, few = 0;
  if (s->skipped) {
    printf("\ninformative directions by the labels alone: left out, %s\n", s->skipped);
    return;
  }
  printf("\ninformative directions by the labels alone, before training\n");
  if (a->csv) {
    printf("%-12s centred and whitened by their covariance, as this asks for N(0,1)", "inputs");
    if (s->lost > 0) printf("; %lu without variance left out", (unsigned long)s->lost);
    putchar('\n');
  }
  show_rare(s, data);
  for (k = 0; k < s->found; k++) few += s->few[k];
  printf("%-12s %lu of strength above %.4f, the most in %d permutations of the labels; sqrt(d/p) = %.4f\n", "found",
         (unsigned long)(s->found - few), s->noise, (int)PERMUTATIONS, sqrt((double)s->inputs / (double)data->n));
  for (k = 0; k < s->found && shown < DIRECTIONS; k++) {
    if (s->few[k]) continue;
    printf("strength     %.4f", s->strength[k]);
    show_form(s->form + k * data->d, data->d);
    shown++;
  }
  if (s->found - few > shown) printf("%-12s %lu more\n", "and", (unsigned long)(s->found - few - shown));
  for (k = 0; k < s->found; k++) {
    if (!s->few[k]) continue;
    printf("rare         %.4f, not among the found: it rests on a few points;", s->strength[k]);
    show_form(s->form + k * data->d, data->d);
  }
}

static void free_directions(directions *s) {
  free(s->strength);
  free(s->form);
  free(s->rare);
}

int main(int argc, char **argv) {
  invman_context ctx;
  invman_flow_options options;
  invman_flow *flow;
  invman_net net;
  arguments a;
  problem q;
  monitor m;
  directions labels;
  double began, took;
  int end;
  memset(&ctx, 0, sizeof ctx);
  memset(&options, 0, sizeof options);
  memset(&net, 0, sizeof net);
  memset(&q, 0, sizeof q);
  memset(&m, 0, sizeof m);
  ctx.error = &error;
  ctx.progress = stop_if_interrupted;

  parse(argc, argv, &a);
  if (a.csv || a.images) load(&ctx, &a, &q);
  else sample(&ctx, &a, &q);

  options.alpha = a.alpha;
  options.rotation_tol = options.margin_tol = a.tol;
  options.t_max = a.t_max;
  options.d_par = q.d_par;
  options.test = a.jsonl && q.test.n > 0 ? &q.test : NULL;
  options.report_every = a.every;
  options.report = report;
  options.user = &m;
  m.p = q.train.n;
  m.lambda = q.d_par > 0 && q.d_par < q.train.d;
  m.terminal = isatty(fileno(stderr));
  if (a.resume) {
    check(invman_flow_resume(&ctx, a.resume, &net, &q.train, &options, &flow), a.resume);
    if (net.h != a.h) fail("%s: made with --h %lu", a.resume, (unsigned long)net.h);
  } else {
    invman_rng rng;
    invman_rng_seed(&rng, a.seed, INVMAN_STREAM_WEIGHTS);
    check(invman_net_init(&ctx, a.h, q.train.d, &rng, &net), "network");
    check(invman_flow_create(&ctx, &net, &q.train, &options, &flow), a.csv ? a.csv : a.images ? a.images : "training");
  }
  check_writable(a.save);
  check_writable(a.pgm);
  if (a.jsonl && !(m.jsonl = fopen(a.jsonl, a.resume ? "a" : "w"))) fail("%s: cannot be created", a.jsonl);

  printf("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", q.about, (unsigned long)q.train.d,
         (unsigned long)q.train.n, (unsigned long)net.h, a.alpha > 0 ? a.alpha : 1e-6, (unsigned long)a.seed);
  fflush(stdout);
  find_directions(&ctx, &a, &q.train, &labels);
  signal(SIGINT, interrupt);
  began = seconds();
  check(invman_flow_run(flow), "training");
  if (m.terminal) fprintf(stderr, "\r%60s\r", "");
  took = seconds() - began;
  if (a.save) check(invman_flow_save(flow, a.save), a.save);
  table(flow, &q, (double)net.h, took);
  if (a.save) printf("%-12s %s\n", "saved", a.save);
  if (a.csv || a.images) show_energy(&a, &net, &q);
  show_directions(&a, &labels, &q.train);
  if (m.jsonl) {
    int bad = ferror(m.jsonl);
    if (fclose(m.jsonl) != 0 || bad) fail("%s: cannot be written", a.jsonl);
  }
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");

  end = invman_flow_get_info(flow)->status;
  invman_flow_free(flow);
  invman_net_free(&ctx, &net);
  free_directions(&labels);
  free_problem(&ctx, &q);
  return end == INVMAN_OK || end == INVMAN_STOPPED ? 0 : 1;
}
