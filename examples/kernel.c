/* What the tangent kernel learned: trains a network in the feature regime, freezes its kernel at the start and at the
   end, lets each of them learn from fresh points, and shows what its first eigenvectors know about the label, and how
   few of them are enough to predict it.

   cc -O3 -fopenmp -I.. kernel.c -o kernel -lm
   ./kernel --help */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, fileno, isatty */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <errno.h>
#include <float.h>
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
    "kernel - train a one-hidden-layer network; compare the frozen kernels of its start and of its end\n"
    "\n"
    "  kernel [--model stripe|cylinder] [options]   points of the paper's models\n"
    "  kernel --csv FILE [options]                  own points: a line each, numbers, the label -1 or +1 last\n"
    "  kernel --idx IMAGES LABELS [options]         images in IDX files (MNIST's, unpacked): even or odd digit\n"
    "\n"
    "  --d N            inputs (stripe 5, cylinder 3)\n"
    "  --d-par N        informative inputs of a model, the first ones (stripe 1, cylinder 2)\n"
    "  --p N            training points of the network (models 411; files 1000, but at most a third of the points)\n"
    "  --kernel-size N  fresh points that the kernels learn from (as many as --p)\n"
    "  --h N            neurons (1000)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (1e-6)\n"
    "  --seed N         of points, weights and the choice of points (1)\n"
    "  --tol X          error of the margins, and rotation of a neuron, in a step (0.1)\n"
    "  --test-size N    test points (models 10000; files: all that are left)\n"
    "  --t-max T        the end of the network's training, if it is not done before: the time t (none)\n"
    "  --phi FILE       CSV of every kernel point: kernel (start, end, last), phi_1, phi_2, label\n"
    "  --spectrum FILE  CSV of the eigenvectors' table, with the eigenvalues\n"
    "  --help, --version\n"
    "\n"
    "  kernel --d 5 --p 600\n"
    "  kernel --model cylinder --p 1000 --kernel-size 2000 --phi phi.csv\n"
    "  kernel --csv points.csv\n"
    "  kernel --idx t10k-images-idx3-ubyte t10k-labels-idx1-ubyte --p 1000\n"
    "\n"
    "The tables show, for the kernel of the network at the start and at the end, of the end's last layer alone, and "
    "of\n"
    "infinite width at the start:\n"
    "  test error   of the hinge flow with that kernel, on the fresh points, to its rest\n"
    "  a'Ka         squared norm of what it learned; relative: with K scaled to a diagonal of mean 1\n"
    "  dimension    of the fresh points as that kernel sees them (TwoNN), and its standard error\n"
    "  I, null      mutual information of an eigenvector with the label, in bits; the same for shuffled labels\n"
    "  omega^2      share of the labels in that eigenvector\n"
    "  regression   least squares on the first r eigenvectors alone, of up to 4096 fresh points: its test error\n"
    "  extended     the first eigenvector at the test points (Nystrom): its I with their labels\n"
    "\n"
    "Exit status: 0 every run ended, or Ctrl-C ended it; 1 one ended above zero loss; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("kernel: ", stderr);
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
  const char *model, *csv, *images, *labels, *phi, *spectrum;
  size_t d, d_par, p, kernel_size, h, seed, test_size;
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
  for (i = 1; i < argc; i++) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("kernel, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
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
    } else if (!strcmp(flag, "--phi")) a->phi = value;
    else if (!strcmp(flag, "--spectrum")) a->spectrum = value;
    else if (!strcmp(flag, "--d")) a->d = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--d-par")) a->d_par = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--p")) a->p = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--kernel-size")) a->kernel_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--h")) a->h = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--seed")) a->seed = whole_number(flag, value, 0);
    else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
    else if (!strcmp(flag, "--tol")) {
      a->tol = positive_number(flag, value);
      if (a->tol > 1) fail("--tol must be at most 1");
    } else if (!strcmp(flag, "--t-max")) a->t_max = positive_number(flag, value);
    else fail("%s: unknown option; see --help", flag);
  }
  if ((a->model != NULL) + (a->csv != NULL) + (a->images != NULL) > 1) fail("give one of --model, --csv and --idx");
  if (a->d && (a->csv || a->images)) fail("--d: the file sets the number of inputs");
  if (a->d_par && (a->csv || a->images)) fail("--d-par: only a model says which inputs are informative");
}

/* ---- the data */

typedef struct problem {
  invman_data all;                /* of a file */
  invman_data train, fresh, test; /* of a model, or views of `all`; the kernels learn from the fresh points */
  char about[64];
} problem;

static void draw(const invman_context *ctx, const invman_data_model *model, size_t n, const arguments *a,
                 uint64_t stream, const char *about, invman_data *out) {
  invman_rng rng;
  invman_rng_seed(&rng, a->seed, stream);
  check(invman_data_sample(ctx, model, n, &rng, out), about);
}

static void sample(const invman_context *ctx, const arguments *a, problem *q) {
  invman_data_model model;
  size_t p = a->p ? a->p : 411;
  memset(&model, 0, sizeof model);
  if (a->model && !strcmp(a->model, "cylinder")) model.kind = INVMAN_CYLINDER;
  else if (a->model && strcmp(a->model, "stripe")) fail("--model: '%s' is neither stripe nor cylinder", a->model);
  model.d = a->d ? a->d : model.kind == INVMAN_CYLINDER ? 3 : 5;
  model.d_par = a->d_par;
  draw(ctx, &model, p, a, INVMAN_STREAM_TRAIN, "training points", &q->train);
  draw(ctx, &model, a->kernel_size ? a->kernel_size : p, a, INVMAN_STREAM_KERNEL, "kernel points", &q->fresh);
  draw(ctx, &model, a->test_size ? a->test_size : 10000, a, INVMAN_STREAM_TEST, "test points", &q->test);
  snprintf(q->about, sizeof q->about, "%s", model.kind == INVMAN_CYLINDER ? "cylinder" : "stripe");
}

/* The next n of all points, from the first one on that no other part has. */
static invman_data part(const problem *q, size_t *first, size_t n, const char *flag, const char *path) {
  invman_data view = q->all;
  if (n > q->all.n - *first)
    fail("%s: %s %lu, but only %lu of %lu points are left", path, flag, (unsigned long)n,
         (unsigned long)(q->all.n - *first), (unsigned long)q->all.n);
  view.n = n;
  view.x += *first * view.d;
  view.y += *first;
  *first += n;
  return view;
}

static void load(const invman_context *ctx, const arguments *a, problem *q) {
  const char *path = a->csv ? a->csv : a->images;
  invman_rng rng;
  size_t p, first = 0;
  if (a->csv) {
    check(invman_data_read_csv(ctx, a->csv, &q->all), a->csv);
  } else {
    invman_idx_options options;
    invman_status status;
    memset(&options, 0, sizeof options);
    options.centre = 1;
    status = invman_data_read_idx(ctx, a->images, a->labels, &options, &q->all);
    check(status, error.what && strncmp(error.what, "labels", 6) == 0 ? a->labels : a->images);
  }
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&q->all, &rng);
  p = a->p ? a->p : q->all.n < 3000 ? (q->all.n + 2) / 3 : 1000;
  q->train = part(q, &first, p, "--p", path);
  q->fresh = part(q, &first, a->kernel_size ? a->kernel_size : p, "--kernel-size", path);
  q->test = part(q, &first, a->test_size ? a->test_size : q->all.n - first, "--test-size", path);
  snprintf(q->about, sizeof q->about, "%s", a->csv ? "csv" : "images");
}

/* Fails now, and not after hours, where a label is too rare: the network needs both (or one point), the mutual
   information more than five of each. */
static void check_labels(const invman_data *data, size_t least, const char *flag) {
  size_t i, plus = 0;
  for (i = 0; i < data->n; i++) plus += data->y[i] > 0;
  if (plus < least || data->n - plus < least)
    fail("%s: of %lu points %lu have the label +1; at least %lu of each label are needed", flag, (unsigned long)data->n,
         (unsigned long)plus, (unsigned long)least);
}

static void free_problem(const invman_context *ctx, problem *q) {
  if (q->all.x) {
    invman_data_free(ctx, &q->all);
  } else {
    invman_data_free(ctx, &q->train);
    invman_data_free(ctx, &q->fresh);
    invman_data_free(ctx, &q->test);
  }
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

typedef struct monitor {
  const char *stage; /* what is being done */
  double shown;      /* when that was last said */
  int terminal;
} monitor;

static int progress(const char *stage, double done, void *user) {
  monitor *m = (monitor *)user;
  (void)stage;
  if (m->terminal && seconds() - m->shown > 0.1) {
    m->shown = seconds();
    fprintf(stderr, "\r%-40s %5.1f %%", m->stage, done > 0 ? 100 * done : 0);
    fflush(stderr);
  }
  return interrupted != 0;
}

static void begin(monitor *m, const char *stage) {
  m->stage = stage;
  if (m->terminal) {
    fprintf(stderr, "\r%-60s", stage);
    fflush(stderr);
  }
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

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double));
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- a kernel, and what it learns */

enum { COMPONENTS = 10, BLOCK = 512 };        /* eigenvectors; test points at a time */
enum { NULL_DRAWS = 20, STREAM_SHUFFLE = 5 }; /* for a null value: shuffled labels, and their random numbers */
enum { CUTS = 6, CUT_MOST = 4096 }; /* of the regression; points beyond which all eigenvectors cost too much */

typedef struct kernel {
  const char *name, *key;
  const invman_net *net; /* NULL: of infinite width */
  int part;
  int learned, measured; /* what it learned, and what its eigenvectors tell, is known */
  invman_lazy_info lazy;
  invman_status components;    /* whether the eigenvectors have converged */
  double test_error;           /* -1: no test points */
  double norm, scale;          /* a'Ka; mean of K's diagonal */
  double dimension, deviation; /* -1: not defined */
  size_t duplicates;
  double lambda[COMPONENTS], bits[COMPONENTS], null[COMPONENTS], omega2[COMPONENTS];
  int regressed, extended; /* it is known what the first eigenvectors predict, and the first one beyond its points */
  double cut_error[CUTS], bits_beyond, null_beyond;
  double *phi; /* (COMPONENTS, n); NULL: not wanted of this kernel */
} kernel;

enum { START, END, LAST, INFINITE, KERNELS };

/* K (n,m) of the points x (n,d) with z (m,d); z NULL: with themselves. */
static void gram(const invman_context *ctx, const kernel *k, size_t d, const double *x, size_t n, const double *z,
                 size_t m, double *K) {
  if (k->net) check(invman_ntk_gram(ctx, k->net, k->part, x, n, z, m, K), k->name);
  else check(invman_ntk_gram_infinite(ctx, d, k->part, x, n, z, m, K), k->name);
}

static size_t block_of(size_t left) { return left < BLOCK ? left : (size_t)BLOCK; }

/* The share of points with y F <= 0, F(x) = sum_mu a_mu K(x, x_mu): a block of them at a time. */
static double kernel_error(const invman_context *ctx, const kernel *k, const invman_data *fresh, const double *a,
                           const invman_data *test) {
  double *K = numbers(block_of(test->n), fresh->n);
  size_t first, i, j, wrong = 0;
  for (first = 0; first < test->n && !interrupted; first += BLOCK) {
    size_t count = block_of(test->n - first);
    gram(ctx, k, test->d, test->x + first * test->d, count, fresh->x, fresh->n, K);
    for (i = 0; i < count; i++) {
      double F = 0;
      for (j = 0; j < fresh->n; j++) F += K[i * fresh->n + j] * a[j];
      wrong += !(test->y[first + i] * F > 0);
    }
  }
  free(K);
  return test->n > 0 ? (double)wrong / (double)test->n : -1;
}

static void learn(const invman_context *ctx, kernel *k, const double *K, const problem *q) {
  const invman_data *fresh = &q->fresh;
  double *a = numbers(2, fresh->n), *margin = a + fresh->n;
  invman_lazy_options options;
  size_t i;
  memset(&options, 0, sizeof options);
  options.margin = margin;
  check(invman_lazy_train(ctx, K, fresh->y, fresh->n, &options, a, &k->lazy), k->name);
  for (i = 0; i < fresh->n; i++) {
    k->norm += a[i] * fresh->y[i] * margin[i];
    k->scale += K[i * fresh->n + i] / (double)fresh->n;
  }
  k->test_error = kernel_error(ctx, k, fresh, a, &q->test);
  k->learned = !interrupted;
  free(a);
}

static void measure_dimension(const invman_context *ctx, kernel *k, const double *K, size_t n) {
  k->duplicates = invman_duplicates(K, n);
  if (invman_intrinsic_dimension(ctx, K, n, &k->dimension, &k->deviation) < 0) k->dimension = k->deviation = -1;
}

static void measure_components(const invman_context *ctx, kernel *k, const double *K, const invman_data *fresh,
                               size_t seed) {
  invman_rng rng;
  size_t c;
  k->components = invman_kernel_pca(ctx, K, fresh->y, fresh->n, COMPONENTS, k->lambda, k->phi, k->omega2);
  check(k->components, k->name);
  if (interrupted) return;
  invman_rng_seed(&rng, seed, STREAM_SHUFFLE);
  for (c = 0; c < COMPONENTS; c++) {
    const double *phi = k->phi + c * fresh->n;
    check(invman_mutual_information(ctx, phi, 1, fresh->y, fresh->n, NULL, &k->bits[c]), k->name);
    check(invman_mutual_information_null(ctx, phi, 1, fresh->y, fresh->n, NULL, NULL_DRAWS, &rng, &k->null[c], NULL),
          k->name);
  }
  k->measured = !interrupted;
}

/* How many eigenvectors the regressions take, the last one all of them. */
static size_t cut(size_t i, size_t n) {
  static const size_t r[CUTS - 1] = {1, 3, 10, 30, 100};
  return i < CUTS - 1 && r[i] < n ? r[i] : n;
}

static size_t cuts(size_t n) {
  size_t count = 1;
  while (cut(count - 1, n) < n) count++;
  return count;
}

/* Of the first eigenvector's continuation to the test points, beyond (test->n). */
static void measure_extension(const invman_context *ctx, kernel *k, const invman_data *test, const double *beyond,
                              size_t seed) {
  invman_rng rng;
  size_t i, plus = 0;
  for (i = 0; i < test->n; i++) plus += test->y[i] > 0;
  if (plus <= 5 || test->n - plus <= 5) return; /* neighbours of the estimator */
  invman_rng_seed(&rng, seed, STREAM_SHUFFLE);
  check(invman_mutual_information(ctx, beyond, 1, test->y, test->n, NULL, &k->bits_beyond), k->name);
  check(invman_mutual_information_null(ctx, beyond, 1, test->y, test->n, NULL, NULL_DRAWS, &rng, &k->null_beyond, NULL),
        k->name);
  k->extended = !interrupted;
}

/* What the first eigenvectors alone predict, and the first one at the test points: a block of them at a time. K makes
   room for its eigenvectors, so that it is the last thing done with it. */
static void regress(const invman_context *ctx, kernel *k, double *K, const problem *q, size_t seed) {
  const invman_data *fresh = &q->fresh, *test = &q->test;
  size_t n = fresh->n, first, i, c, wrong[CUTS] = {0};
  double *lambda = numbers(1, n), *C = numbers(block_of(test->n), n), *beyond = numbers(test->n, 1);
  double F[BLOCK];
  check(invman_eigh(ctx, n, K, lambda), k->name);
  for (first = 0; first < test->n && !interrupted; first += BLOCK) {
    size_t count = block_of(test->n - first);
    gram(ctx, k, test->d, test->x + first * test->d, count, fresh->x, n, C);
    if (interrupted) break;
    for (c = 0; c < cuts(n); c++) {
      check(invman_spectral_predictor(ctx, lambda, K, fresh->y, n, cut(c, n), 0, C, count, F), k->name);
      for (i = 0; i < count; i++) wrong[c] += !(test->y[first + i] * F[i] > 0);
    }
    check(invman_nystrom_extension(ctx, lambda, K, n, 1, C, count, beyond + first), k->name);
  }
  for (c = 0; c < CUTS; c++) k->cut_error[c] = (double)wrong[c] / (double)test->n;
  k->regressed = !interrupted;
  if (k->regressed) measure_extension(ctx, k, test, beyond, seed);
  free(lambda);
  free(C);
  free(beyond);
}

static int regression_wanted(const problem *q) { return q->test.n > 0 && q->fresh.n <= CUT_MOST; }

/* One Gram matrix at a time, all in the same memory. */
static void measure(const invman_context *ctx, kernel *kernels, const problem *q, size_t seed, double *K, monitor *m) {
  int i;
  for (i = 0; i < KERNELS && !interrupted; i++) {
    kernel *k = &kernels[i];
    begin(m, k->name);
    gram(ctx, k, q->fresh.d, q->fresh.x, q->fresh.n, NULL, 0, K);
    if (!interrupted) learn(ctx, k, K, q);
    if (!interrupted) measure_dimension(ctx, k, K, q->fresh.n);
    if (!interrupted && k->phi) measure_components(ctx, k, K, &q->fresh, seed);
    if (!interrupted && (i == START || i == END) && regression_wanted(q)) regress(ctx, k, K, q, seed);
  }
  if (m->terminal) fprintf(stderr, "\r%60s\r", "");
}

/* ---- what comes out */

/* Doubles that the kernel of a network takes beside its matrix, in tiles of at most 1024 points. */
static double tiles(double points, double network) {
  double t = 1.25 * points + 16 < 1024 ? 1.25 * points + 16 : 1024;
  return network + t * t + 1024 * t + 512 * (t + 32);
}

static double larger(double a, double b) { return a > b ? a : b; }

/* What will be taken at most at a time, said before it is taken: the points and both networks all the while; beside
   them the training, or a Gram matrix and what is done with it. Points that slide along their margin take a factor of
   their part of the matrix: few do as a rule, and how many is not known before. */
static void show_memory(const problem *q, size_t h) {
  double d = (double)q->train.d, p = (double)q->train.n, n = (double)q->fresh.n, t = (double)q->test.n;
  double points = (p + n + t) * (d + 1), network = (double)h * (d + 2), block = (double)block_of(q->test.n);
  double groups = larger(p, t) < 4096 ? larger(p, t) : 4096, side = n < 4096 ? n : 4096, mega = 8 / 1048576.0;
  double training = 3 * network + 64 * groups + 800 * p + 3 * t + tiles(p, 0);
  double testing = tiles(larger(n, block), network) + block * n, learning = 30 * n, phi = 3 * COMPONENTS * n;
  double components = n > 8 * COMPONENTS ? 100 * n + 256 * (side + 128) : 4 * n * n + 512 * (n + 32);
  double vectors = larger(2 * n * n + 1250 * n + 5e4, larger(testing, 512 * (block + 32))); /* K's, and their use */
  double regression = regression_wanted(q) ? vectors + block * n + n + 16 * t : 0;
  double most = larger(larger(testing, learning), larger(components, regression));
  double work = phi + most, all = larger(training, n * n + work);
  printf(
      "memory: at most %.3g MB (points and networks %.3g, a Gram matrix %.3g, work beside it %.3g), and another %.3g "
      "where all points slide along their margin at once\n",
      mega * (points + 2 * network + all), mega * (points + 2 * network), mega * n * n, mega * work,
      mega * 4.5 * n * n);
}

static void show_setting(const arguments *a, const problem *q) {
  printf("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu; the kernels learn from %lu other points\n", q->about,
         (unsigned long)q->train.d, (unsigned long)q->train.n, (unsigned long)a->h, a->alpha > 0 ? a->alpha : 1e-6,
         (unsigned long)a->seed, (unsigned long)q->fresh.n);
  show_memory(q, a->h);
  fflush(stdout);
}

static void show_number(const char *format, int width, double value, int known) {
  char text[64];
  snprintf(text, sizeof text, format, value);
  printf("%*s", width, known ? text : "-");
}

static void show_errors(const kernel *kernels, double net_error) {
  int i;
  printf("\n%-28s %10s %11s %11s   %s\n", "learned by", "test error", "a'Ka", "relative", "dimension");
  printf("%-28s ", "the network");
  show_number("%.4f", 10, net_error, net_error >= 0);
  putchar('\n');
  for (i = 0; i < KERNELS; i++) {
    const kernel *k = &kernels[i];
    printf("%-28s ", k->name);
    show_number("%.4f", 10, k->test_error, k->learned && k->test_error >= 0);
    show_number("%.4g", 12, k->norm, k->learned);
    show_number("%.4g", 12, k->norm * k->scale, k->learned);
    printf("   ");
    if (k->learned && k->dimension >= 0) printf("%.2f +- %.2f\n", k->dimension, k->deviation);
    else printf("-\n");
  }
}

static void show_components(const kernel *kernels) {
  int i, c;
  printf("\nthe first %d eigenvectors\n%5s", COMPONENTS, "");
  for (i = START; i <= LAST; i++) printf("  %-23s", kernels[i].key);
  printf("\n%5s", "k");
  for (i = START; i <= LAST; i++) printf(" %8s %6s %8s", "I", "null", "omega^2");
  putchar('\n');
  for (c = 0; c < COMPONENTS; c++) {
    printf("%5d", c + 1);
    for (i = START; i <= LAST; i++) {
      const kernel *k = &kernels[i];
      show_number("%.4f", 9, k->bits[c], k->measured);
      show_number("%.4f", 7, k->null[c], k->measured);
      show_number("%.4f", 9, k->omega2[c], k->measured);
    }
    putchar('\n');
  }
}

static void show_regression(const kernel *kernels, size_t n) {
  size_t c;
  int i;
  printf("\ntest error of the regression on the first r eigenvectors\n%-28s", "r");
  for (c = 0; c < cuts(n); c++) printf(" %7lu", (unsigned long)cut(c, n));
  putchar('\n');
  for (i = START; i <= END; i++) {
    printf("%-28s", kernels[i].name);
    for (c = 0; c < cuts(n); c++) show_number("%.4f", 8, kernels[i].cut_error[c], kernels[i].regressed);
    putchar('\n');
  }
}

static void show_extension(const kernel *kernels) {
  int i;
  printf("\n%-28s %7s %7s %11s %7s\n", "the first eigenvector", "I", "null", "extended: I", "null");
  for (i = START; i <= END; i++) {
    const kernel *k = &kernels[i];
    printf("%-28s", k->name);
    show_number("%.4f", 8, k->bits[0], k->measured);
    show_number("%.4f", 8, k->null[0], k->measured);
    show_number("%.4f", 12, k->bits_beyond, k->extended);
    show_number("%.4f", 8, k->null_beyond, k->extended);
    putchar('\n');
  }
}

/* A line below the tables; the first one after a blank line. */
static void note(const char *format, ...) {
  static int notes;
  va_list list;
  va_start(list, format);
  if (notes++ == 0) putchar('\n');
  vprintf(format, list);
  putchar('\n');
  va_end(list);
}

/* Why a run ended, where it is not done. Returns the exit status: 1 where one ended above zero loss. */
static int show_reasons(const kernel *kernels, const invman_flow_info *net) {
  int i, bad = net->status > INVMAN_STOPPED;
  if (net->status != INVMAN_OK)
    note("the network: %s: %s", invman_status_string(net->status), invman_end_string(net->end));
  for (i = 0; i < KERNELS; i++) {
    const kernel *k = &kernels[i];
    if (k->lazy.status != INVMAN_OK)
      note("%s: %s: %s", k->name, invman_status_string(k->lazy.status), invman_end_string(k->lazy.end));
    if (k->components == INVMAN_NOT_CONVERGED) note("%s: the eigenvectors have not converged", k->name);
    if (k->duplicates > 0)
      note("%s: %lu points have an equal; the dimension is that of the others", k->name, (unsigned long)k->duplicates);
    bad |= k->lazy.status > INVMAN_STOPPED || k->components > INVMAN_STOPPED;
  }
  if (interrupted) note("stopped: what is shown as - is not known");
  return bad;
}

/* Rows of one of the files, for one kernel. */
typedef void (*rows)(FILE *file, const kernel *k, const invman_data *fresh);

static void phi_rows(FILE *file, const kernel *k, const invman_data *fresh) {
  size_t i;
  for (i = 0; i < fresh->n; i++)
    fprintf(file, "%s,%.17g,%.17g,%g\n", k->key, k->phi[i], k->phi[fresh->n + i], fresh->y[i]);
}

static void spectrum_rows(FILE *file, const kernel *k, const invman_data *fresh) {
  int c;
  (void)fresh;
  for (c = 0; c < COMPONENTS; c++)
    fprintf(file, "%s,%d,%.17g,%.6g,%.6g,%.6g\n", k->key, c + 1, k->lambda[c], k->bits[c], k->null[c], k->omega2[c]);
}

/* Under a temporary name first: what is called `path` is whole. */
static void write_csv(const char *path, const char *header, rows write, const kernel *kernels,
                      const invman_data *fresh) {
  size_t length = strlen(path);
  char *name = (char *)malloc(length + 5);
  FILE *file;
  int k, bad;
  if (!name) fail("out of memory");
  memcpy(name, path, length);
  memcpy(name + length, ".tmp", 5);
  file = fopen(name, "wb");
  if (!file) fail("%s: cannot be created", path);
  fprintf(file, "%s\n", header);
  for (k = START; k <= LAST; k++) write(file, &kernels[k], fresh);
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

static void write_files(const arguments *a, const kernel *kernels, const invman_data *fresh) {
  int known = kernels[LAST].measured;
  if (a->phi && known) write_csv(a->phi, "kernel,phi_1,phi_2,label", phi_rows, kernels, fresh);
  if (a->spectrum && known)
    write_csv(a->spectrum, "kernel,k,lambda,mutual_information,null_mean,omega2", spectrum_rows, kernels, fresh);
  if (a->phi) printf("\n%s %s\n", a->phi, known ? "is written" : "is not written");
  if (a->spectrum) printf("\n%s %s\n", a->spectrum, known ? "is written" : "is not written");
}

/* The share of test points with y F <= 0; -1: there are none. */
static double net_error(const invman_flow *flow, const invman_data *test) {
  double *F;
  size_t i, wrong = 0;
  if (test->n == 0) return -1;
  F = numbers(test->n, 1);
  check(invman_flow_predict(flow, test->x, test->n, F), "prediction");
  for (i = 0; i < test->n; i++) wrong += !(test->y[i] * F[i] > 0);
  free(F);
  return (double)wrong / (double)test->n;
}

static void set_kernels(kernel *kernels, const invman_net *start, const invman_net *end, size_t n) {
  static const char *const name[KERNELS] = {"its kernel at the start", "its kernel at the end",
                                            "its last layer at the end", "the kernel of infinite width"};
  static const char *const key[KERNELS] = {"start", "end", "last", "infinite"};
  int i;
  memset(kernels, 0, KERNELS * sizeof *kernels);
  for (i = 0; i < KERNELS; i++) {
    kernels[i].name = name[i];
    kernels[i].key = key[i];
    kernels[i].net = i == START ? start : i == INFINITE ? NULL : end;
    kernels[i].part = i == LAST ? INVMAN_NTK_LAST_LAYER : INVMAN_NTK_ALL;
    kernels[i].phi = i == INFINITE ? NULL : numbers(COMPONENTS, n);
  }
}

static void free_kernels(kernel *kernels) {
  int i;
  for (i = 0; i < KERNELS; i++) free(kernels[i].phi);
}

/* The network at its start and at its end; returns its test error. */
static double train(const invman_context *ctx, const arguments *a, const problem *q, invman_net *start, invman_net *net,
                    invman_flow_info *info) {
  invman_flow_options options;
  invman_flow *flow;
  invman_rng rng;
  double test_error;
  memset(&options, 0, sizeof options);
  options.alpha = a->alpha;
  options.rotation_tol = options.margin_tol = a->tol;
  options.t_max = a->t_max;
  invman_rng_seed(&rng, a->seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(ctx, a->h, q->train.d, &rng, net), "network");
  check(invman_net_copy(ctx, net, start), "network");
  check(invman_flow_create(ctx, net, &q->train, &options, &flow), "training");
  check(invman_flow_run(flow), "training");
  *info = *invman_flow_get_info(flow);
  test_error = net_error(flow, &q->test);
  invman_flow_free(flow);
  return test_error;
}

int main(int argc, char **argv) {
  invman_context ctx;
  invman_flow_info info;
  invman_net start, net;
  arguments a;
  problem q;
  monitor m;
  kernel kernels[KERNELS];
  double *K, test_error;
  int bad;
  memset(&ctx, 0, sizeof ctx);
  memset(&q, 0, sizeof q);
  memset(&m, 0, sizeof m);
  m.terminal = isatty(fileno(stderr));
  ctx.error = &error;
  ctx.progress = progress;
  ctx.user = &m;

  parse(argc, argv, &a);
  if (a.csv || a.images) load(&ctx, &a, &q);
  else sample(&ctx, &a, &q);
  check_labels(&q.train, q.train.n > 1, "--p");
  check_labels(&q.fresh, 6, "--kernel-size");
  check_writable(a.phi);
  check_writable(a.spectrum);
  show_setting(&a, &q);
  K = numbers(q.fresh.n, q.fresh.n); /* now, and not after hours, where there is no room for it */
  set_kernels(kernels, &start, &net, q.fresh.n);

  signal(SIGINT, interrupt);
  begin(&m, "training the network");
  test_error = train(&ctx, &a, &q, &start, &net, &info);
  measure(&ctx, kernels, &q, a.seed, K, &m);
  show_errors(kernels, test_error);
  show_components(kernels);
  if (regression_wanted(&q)) {
    show_regression(kernels, q.fresh.n);
    show_extension(kernels);
  } else if (q.test.n > 0) {
    note("more than %d kernel points: the regression on their eigenvectors is left out", (int)CUT_MOST);
  }
  bad = show_reasons(kernels, &info);
  write_files(&a, kernels, &q.fresh);
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");

  free(K);
  free_kernels(kernels);
  invman_net_free(&ctx, &start);
  invman_net_free(&ctx, &net);
  free_problem(&ctx, &q);
  return bad;
}
