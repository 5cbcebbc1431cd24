/* What the tangent kernel learned: trains a network in the feature regime, freezes its kernel at the start and at the
   end, lets each of them learn from fresh points, and shows what its first eigenvectors know about the label, and how
   few of them are enough to predict it.

   cc -O2 -fopenmp examples/kernel.c -o kernel -lm
   ./kernel --help */
#define INVMAN_IMPLEMENTATION
#include "points.h"

typedef struct arguments {
  const char *phi, *spectrum, *npy;
  size_t d, d_par, p, kernel_size, h, seed, test_size;
  double alpha, tol, t_max;
  int model; /* INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.model, 0, 0, "stripe", "points of the paper's models", 0},
    POINT_OPTIONS("--csv"),
    {"--d", "N", read_whole, &asked.d, 1, 0, NULL, "inputs (stripe 5, cylinder 3)", 0},
    {"--d-par", "N", read_whole, &asked.d_par, 1, 0, NULL,
     "informative inputs of a model, the first ones (stripe 1, cylinder 2)", 0},
    {"--p", "N", read_whole, &asked.p, 1, 0, NULL,
     "training points of the network (models 411; files 1000, but at most a third of the points, or half of them where "
     "--test-csv is given)",
     0},
    {"--kernel-size", "N", read_whole, &asked.kernel_size, 1, 0, NULL,
     "fresh points that the kernels learn from (as many as --p)", 0},
    {"--h", "N", read_whole, &asked.h, 1, 0, "1000", "neurons", 0},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "1e-6",
     "scale of the predictor: small trains features, large is lazy", 0},
    {"--seed", "N", read_whole, &asked.seed, 0, 0, "1", "of points, weights and the choice of points", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, NULL,
     "test points (models 10000; files: all that are left)", 0},
    {"--t-max", "T", read_positive, &asked.t_max, 0, 0, NULL,
     "the end of the network's training, if it is not done before: the time t (none)", 0},
    {"--phi", "FILE", read_output, &asked.phi, 0, 0, NULL,
     "CSV of every kernel point: kernel (start, end, last), phi_1, phi_2, label", 0},
    {"--spectrum", "FILE", read_output, &asked.spectrum, 0, 0, NULL,
     "CSV of the eigenvectors' table, with the eigenvalues", 0},
    {"--npy", "DIR", read_folder, &asked.npy, 0, 0, NULL,
     "K_start.npy, K_end.npy, y.npy for diagnose: both kernels of the fresh points, their labels; made if need be", 0},
};

static const program description = {
    "kernel",
    "train a one-hidden-layer network; compare the frozen kernels of its start and of its end",
    NULL,
    "  kernel --d 5 --p 600\n"
    "  kernel --model cylinder --p 1000 --kernel-size 2000 --phi phi.csv\n"
    "  kernel --csv points.csv\n"
    "  kernel --csv cancer.csv --label-column diagnosis --positive M --drop id --standardise\n"
    "  kernel --npy kept && diagnose --gram kept/K_end.npy --other kept/K_start.npy --labels kept/y.npy\n"
    "  kernel --idx t10k-images-idx3-ubyte t10k-labels-idx1-ubyte --p 1000\n"
    "\n"
    "The tables show, for the kernel of the network at the start and at the end, of the end's last layer alone, and of "
    "infinite width at the start:\n"
    "  test error  of the hinge flow with that kernel, on the fresh points, to its rest\n"
    "  a'Ka        squared norm of what it learned; relative: with K scaled to a diagonal of mean 1\n"
    "  dimension   of the fresh points as that kernel sees them (TwoNN), and its standard error\n"
    "  I, null     mutual information of an eigenvector with the label, in bits; the same for shuffled labels\n"
    "  omega^2     share of the labels in that eigenvector\n"
    "  regression  least squares on the first r eigenvectors alone, of up to 4096 fresh points: its test error\n"
    "  extended    the first eigenvector at the test points (Nystrom): its I with their labels\n"
    "\n"
    "Exit status: 0 every run ended; 1 one ended above zero loss; 2 bad input, or a file cannot be written; 3 "
    "interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

static void complete(const arguments *a) {
  check_point_options("--csv");
  if (a->d && own_points()) fail("--d: the file sets the number of inputs");
  if (a->d_par && own_points()) fail("--d-par: only a model says which inputs are informative");
}

/* ---- the data */

typedef struct problem {
  point_set own;                  /* of a file */
  invman_data train, fresh, test; /* of a model, or views of those; the kernels learn from the fresh points */
  size_t flipped;                 /* labels of train and fresh */
  char *advice;                   /* on the table */
  const char *about;
} problem;

static void draw(const invman_context *ctx, const arguments *a, problem *q) {
  invman_data_model model;
  size_t p = a->p ? a->p : 411;
  memset(&model, 0, sizeof model);
  model.kind = a->model;
  model.d = a->d ? a->d : a->model == INVMAN_CYLINDER ? 3 : 5;
  model.d_par = a->d_par;
  q->train = sample(ctx, &model, p, a->seed, INVMAN_STREAM_TRAIN, "training points");
  q->fresh = sample(ctx, &model, a->kernel_size ? a->kernel_size : p, a->seed, INVMAN_STREAM_KERNEL, "kernel points");
  q->test = sample(ctx, &model, a->test_size ? a->test_size : 10000, a->seed, INVMAN_STREAM_TEST, "test points");
  q->about = a->model == INVMAN_CYLINDER ? "cylinder" : "stripe";
}

/* How many training points there are where --p does not say it. */
static size_t usual_size(size_t n) {
  if (source.test_csv) return n < 2000 ? (n + 1) / 2 : 1000;
  return n < 3000 ? (n + 2) / 3 : 1000;
}

/* The network's points are those of compress with the same seed. */
static void load(const invman_context *ctx, const arguments *a, problem *q) {
  point_set *own = &q->own;
  size_t p, first = 0;
  read_points(ctx, own);
  q->advice = advice(own);
  shuffle_points(own, a->seed);
  p = a->p ? a->p : usual_size(own->all.n);
  q->train = part(&own->all, &first, p, "--p", points_path());
  if (!a->kernel_size && source.test_csv && p > own->all.n - first) p = own->all.n - first;
  q->fresh = part(&own->all, &first, a->kernel_size ? a->kernel_size : p, "--kernel-size", points_path());
  q->test = test_part(own, &first, a->test_size);
  standardise_points(own, &q->train);
  q->about = points_about();
}

static void pose(const invman_context *ctx, const arguments *a, problem *q) {
  if (own_points()) load(ctx, a, q);
  else draw(ctx, a, q);
  q->flipped = flip_labels(&q->train, a->seed, INVMAN_STREAM_TRAIN);
  q->flipped += flip_labels(&q->fresh, a->seed, INVMAN_STREAM_KERNEL);
}

static void free_problem(const invman_context *ctx, problem *q) {
  if (q->own.all.x) {
    free_points(ctx, &q->own);
  } else {
    invman_data_free(ctx, &q->train);
    invman_data_free(ctx, &q->fresh);
    invman_data_free(ctx, &q->test);
  }
}

/* ---- a kernel, and what it learns */

enum { COMPONENTS = 10 };                     /* eigenvectors */
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

static void learn(const invman_context *ctx, kernel *k, const double *K, const problem *q) {
  const invman_data *fresh = &q->fresh;
  double *a = numbers(2, fresh->n), *margin = a + fresh->n, *F = numbers(q->test.n, 1);
  invman_lazy_options o;
  size_t i;
  memset(&o, 0, sizeof o);
  o.margin = margin;
  check(invman_lazy_train(ctx, K, fresh->y, fresh->n, &o, a, &k->lazy), k->name);
  for (i = 0; i < fresh->n; i++) {
    k->norm += a[i] * fresh->y[i] * margin[i];
    k->scale += K[i * fresh->n + i] / (double)fresh->n;
  }
  kernel_predict(ctx, k->net, k->part, fresh, a, &q->test, F);
  k->test_error = q->test.n > 0 ? share_of_errors(F, &q->test) : -1;
  k->learned = !interrupted;
  free(a);
  free(F);
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
  size_t plus = count_plus(test);
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
    gram(ctx, k->net, k->part, test->d, test->x + first * test->d, count, fresh->x, n, C);
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

/* What diagnose reads. */
static void keep(const char *folder, const char *name, const double *value, size_t rows, size_t columns) {
  char *path = joined(folder, "/", name);
  save_npy(path, value, rows, columns);
  free(path);
}

static void check_kept(const char *folder) {
  static const char *const names[] = {"K_start.npy", "K_end.npy", "y.npy"};
  size_t i;
  need_folder(folder);
  for (i = 0; i < 3; i++) {
    char *path = joined(folder, "/", names[i]);
    check_writable(path);
    free(path);
  }
}

/* One Gram matrix at a time, all in the same memory. */
static void measure(const invman_context *ctx, kernel *kernels, const problem *q, const arguments *a, double *K) {
  size_t n = q->fresh.n, seed = a->seed;
  int i;
  for (i = 0; i < KERNELS && !interrupted; i++) {
    kernel *k = &kernels[i];
    begin_stage((1 + i) / (1.0 + KERNELS), 1 / (1.0 + KERNELS), "%s", k->name);
    progress("", 0, NULL);
    gram(ctx, k->net, k->part, q->fresh.d, q->fresh.x, n, NULL, 0, K);
    if (!interrupted && a->npy && i <= END) keep(a->npy, i == START ? "K_start.npy" : "K_end.npy", K, n, n);
    if (!interrupted) learn(ctx, k, K, q);
    if (!interrupted) measure_dimension(ctx, k, K, n);
    if (!interrupted && k->phi) measure_components(ctx, k, K, &q->fresh, seed);
    if (!interrupted && (i == START || i == END) && regression_wanted(q)) regress(ctx, k, K, q, seed);
  }
}

/* ---- what comes out */

/* Doubles that the kernel of a network takes beside its matrix, in tiles of at most 1024 points. */
static double tiles(double points, double network) {
  double t = 1.25 * points + 16 < 1024 ? 1.25 * points + 16 : 1024;
  return network + t * t + 1024 * t + 512 * (t + 32);
}

/* What will be taken at most at a time, said before it is taken: the points and both networks all the while; beside
   them the training, or a Gram matrix and what is done with it. Points that slide along their margin take a factor of
   their part of the matrix: few do as a rule, and how many is not known before. */
static void show_memory(const problem *q, size_t h) {
  double d = (double)q->train.d, p = (double)q->train.n, n = (double)q->fresh.n, t = (double)q->test.n;
  double points = (p + n + t) * (d + 1), network = (double)h * (d + 2), block = (double)block_of(q->test.n);
  double groups = larger(p, t) < 4096 ? larger(p, t) : 4096, side = n < 4096 ? n : 4096, mega = 8 / 1048576.0;
  double training = 3 * network + 64 * groups + 800 * p + 3 * t + tiles(p, 0);
  double testing = tiles(larger(n, block), network) + block * n + t, learning = 30 * n, phi = 3 * COMPONENTS * n;
  double components = n > 8 * COMPONENTS ? 100 * n + 256 * (side + 128) : 4 * n * n + 512 * (n + 32);
  double vectors = larger(2 * n * n + 1250 * n + 5e4, larger(testing, 512 * (block + 32))); /* K's, and their use */
  double regression = regression_wanted(q) ? vectors + block * n + n + 16 * t : 0;
  double most = larger(larger(testing, learning), larger(components, regression));
  double work = phi + most, all = larger(training, n * n + work);
  show("memory: at most %.3g MB (points and networks %.3g, a Gram matrix %.3g, work beside it %.3g), and another %.3g "
       "where all points slide along their margin at once\n",
       mega * (points + 2 * network + all), mega * (points + 2 * network), mega * n * n, mega * work,
       mega * 4.5 * n * n);
}

static void show_setting(const arguments *a, const problem *q) {
  show("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu; the kernels learn from %lu other points", q->about,
       (unsigned long)q->train.d, (unsigned long)q->train.n, (unsigned long)a->h, a->alpha, (unsigned long)a->seed,
       (unsigned long)q->fresh.n);
  if (source.flip > 0) show("; %lu of these labels are flipped", (unsigned long)q->flipped);
  show("\n");
  show_memory(q, a->h);
  fflush(stdout);
}

static void show_number(const char *format, int width, double value, int is_known) {
  char shown[64];
  snprintf(shown, sizeof shown, format, value);
  show("%*s", width, is_known ? shown : "-");
}

static void show_errors(const kernel *kernels, double net_error) {
  int i;
  show("\n%-28s %10s %11s %11s   %s\n", "learned by", "test error", "a'Ka", "relative", "dimension");
  show("%-28s ", "the network");
  show_number("%.4f", 10, net_error, net_error >= 0);
  show("\n");
  for (i = 0; i < KERNELS; i++) {
    const kernel *k = &kernels[i];
    show("%-28s ", k->name);
    show_number("%.4f", 10, k->test_error, k->learned && k->test_error >= 0);
    show_number("%.4g", 12, k->norm, k->learned);
    show_number("%.4g", 12, k->norm * k->scale, k->learned);
    show("   ");
    if (k->learned && k->dimension >= 0) show("%.2f +- %.2f\n", k->dimension, k->deviation);
    else show("-\n");
  }
}

static void show_components(const kernel *kernels) {
  int i, c;
  show("\nthe first %d eigenvectors\n%5s", COMPONENTS, "");
  for (i = START; i <= LAST; i++) show("  %-23s", kernels[i].key);
  show("\n%5s", "k");
  for (i = START; i <= LAST; i++) show(" %8s %6s %8s", "I", "null", "omega^2");
  show("\n");
  for (c = 0; c < COMPONENTS; c++) {
    show("%5d", c + 1);
    for (i = START; i <= LAST; i++) {
      const kernel *k = &kernels[i];
      show_number("%.4f", 9, k->bits[c], k->measured);
      show_number("%.4f", 7, k->null[c], k->measured);
      show_number("%.4f", 9, k->omega2[c], k->measured);
    }
    show("\n");
  }
}

static void show_regression(const kernel *kernels, size_t n) {
  size_t c;
  int i;
  show("\ntest error of the regression on the first r eigenvectors\n%-28s", "r");
  for (c = 0; c < cuts(n); c++) show(" %7lu", (unsigned long)cut(c, n));
  show("\n");
  for (i = START; i <= END; i++) {
    show("%-28s", kernels[i].name);
    for (c = 0; c < cuts(n); c++) show_number("%.4f", 8, kernels[i].cut_error[c], kernels[i].regressed);
    show("\n");
  }
}

static void show_extension(const kernel *kernels) {
  int i;
  show("\n%-28s %7s %7s %11s %7s\n", "the first eigenvector", "I", "null", "extended: I", "null");
  for (i = START; i <= END; i++) {
    const kernel *k = &kernels[i];
    show("%-28s", k->name);
    show_number("%.4f", 8, k->bits[0], k->measured);
    show_number("%.4f", 8, k->null[0], k->measured);
    show_number("%.4f", 12, k->bits_beyond, k->extended);
    show_number("%.4f", 8, k->null_beyond, k->extended);
    show("\n");
  }
}

/* A line below the tables; the first one after a blank line. */
static void note(const char *format, ...) {
  static int notes;
  char line[512];
  va_list rest;
  va_start(rest, format);
  vsnprintf(line, sizeof line, format, rest);
  va_end(rest);
  show("%s%s\n", notes++ == 0 ? "\n" : "", line);
}

/* Why a run ended, where it is not done. Returns the exit status: 1 where one ended above zero loss. */
static int show_reasons(const kernel *kernels, const invman_flow_info *net) {
  int i, bad = net->status > INVMAN_STOPPED;
  if (net->status != INVMAN_OK) note("the network: %s: %s", invman_status_string(net->status), end_string(net->end));
  for (i = 0; i < KERNELS; i++) {
    const kernel *k = &kernels[i];
    if (k->lazy.status != INVMAN_OK)
      note("%s: %s: %s", k->name, invman_status_string(k->lazy.status), end_string(k->lazy.end));
    if (k->components == INVMAN_NOT_CONVERGED) note("%s: the eigenvectors have not converged", k->name);
    if (k->duplicates > 0)
      note("%s: %lu points have an equal; the dimension is that of the others", k->name, (unsigned long)k->duplicates);
    bad |= k->lazy.status > INVMAN_STOPPED || k->components > INVMAN_STOPPED;
  }
  if (interrupted) note("stopped: what is shown as - is not known");
  return bad;
}

static void write_phi(const char *path, const kernel *kernels, const invman_data *fresh) {
  text t = {NULL, 0, 0};
  const kernel *k;
  size_t i;
  put(&t, "kernel,phi_1,phi_2,label\n");
  for (k = kernels; k <= &kernels[LAST]; k++)
    for (i = 0; i < fresh->n; i++) put(&t, "%s,%.17g,%.17g,%g\n", k->key, k->phi[i], k->phi[fresh->n + i], fresh->y[i]);
  if (save(path, &t)) show("\n%s is written\n", path);
}

static void write_spectrum(const char *path, const kernel *kernels) {
  text t = {NULL, 0, 0};
  const kernel *k;
  int c;
  put(&t, "kernel,k,lambda,mutual_information,null_mean,omega2\n");
  for (k = kernels; k <= &kernels[LAST]; k++)
    for (c = 0; c < COMPONENTS; c++)
      put(&t, "%s,%d,%.17g,%.6g,%.6g,%.6g\n", k->key, c + 1, k->lambda[c], k->bits[c], k->null[c], k->omega2[c]);
  if (save(path, &t)) show("\n%s is written\n", path);
}

static void write_files(const arguments *a, const kernel *kernels, const invman_data *fresh) {
  int whole = kernels[LAST].measured;
  if (a->phi && whole) write_phi(a->phi, kernels, fresh);
  else if (a->phi) show("\n%s is not written\n", a->phi);
  if (a->spectrum && whole) write_spectrum(a->spectrum, kernels);
  else if (a->spectrum) show("\n%s is not written\n", a->spectrum);
}

static void set_kernels(kernel *kernels, const invman_net *before, const invman_net *end, size_t n) {
  static const char *const name[KERNELS] = {"its kernel at the start", "its kernel at the end",
                                            "its last layer at the end", "the kernel of infinite width"};
  static const char *const key[KERNELS] = {"start", "end", "last", "infinite"};
  int i;
  memset(kernels, 0, KERNELS * sizeof *kernels);
  for (i = 0; i < KERNELS; i++) {
    kernels[i].name = name[i];
    kernels[i].key = key[i];
    kernels[i].net = i == START ? before : i == INFINITE ? NULL : end;
    kernels[i].part = i == LAST ? INVMAN_NTK_LAST_LAYER : INVMAN_NTK_ALL;
    kernels[i].phi = i == INFINITE ? NULL : numbers(COMPONENTS, n);
  }
}

static void free_kernels(kernel *kernels) {
  int i;
  for (i = 0; i < KERNELS; i++) free(kernels[i].phi);
}

/* The network at its start and at its end; returns its test error. */
static double train(const invman_context *ctx, const arguments *a, const problem *q, invman_net *before,
                    invman_net *net, invman_flow_info *info) {
  invman_flow_options o;
  invman_flow *flow;
  double test_error;
  memset(&o, 0, sizeof o);
  o.alpha = a->alpha;
  o.rotation_tol = o.margin_tol = a->tol;
  o.t_max = a->t_max;
  *net = new_net(ctx, a->h, q->train.d, a->seed);
  check(invman_net_copy(ctx, net, before), "network");
  check(invman_flow_create(ctx, net, &q->train, &o, &flow), "training");
  check(invman_flow_run(flow), "training");
  *info = *invman_flow_get_info(flow);
  test_error = flow_error(flow, &q->test);
  invman_flow_free(flow);
  return test_error;
}

int main(int argc, char **argv) {
  invman_context ctx;
  invman_flow_info info;
  invman_net before, net;
  problem q;
  kernel kernels[KERNELS];
  const arguments *a = &asked;
  double *K, test_error;
  int bad;
  start(argc, argv, &description);
  complete(a);
  memset(&ctx, 0, sizeof ctx);
  memset(&q, 0, sizeof q);
  ctx.error = &error;
  ctx.progress = progress;
  pose(&ctx, a, &q);
  need_labels(&q.train, q.train.n > 1, "--p", "points"); /* both labels, or one point */
  need_labels(&q.fresh, 6, "--kernel-size", "points");   /* for the mutual information */
  if (a->npy) check_kept(a->npy);
  advise(q.advice);
  show_setting(a, &q);
  K = numbers(q.fresh.n, q.fresh.n); /* now, and not after hours, where there is no room for it */
  set_kernels(kernels, &before, &net, q.fresh.n);

  begin_work();
  begin_stage(0, 1 / (1.0 + KERNELS), "training the network");
  test_error = train(&ctx, a, &q, &before, &net, &info);
  if (a->npy) keep(a->npy, "y.npy", q.fresh.y, q.fresh.n, 0);
  measure(&ctx, kernels, &q, a, K);
  show_errors(kernels, test_error);
  show_components(kernels);
  if (regression_wanted(&q)) {
    show_regression(kernels, q.fresh.n);
    show_extension(kernels);
  } else if (q.test.n > 0) {
    note("more than %d kernel points: the regression on their eigenvectors is left out", (int)CUT_MOST);
  }
  bad = show_reasons(kernels, &info);
  write_files(a, kernels, &q.fresh);

  free(K);
  free_kernels(kernels);
  invman_net_free(&ctx, &before);
  invman_net_free(&ctx, &net);
  free_problem(&ctx, &q);
  return finish(bad);
}
