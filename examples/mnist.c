/* Compression in a deep network on real images: trains the sixteen-layer convolutional network in the feature regime on
   the parity of digits (or any IDX images), and compares what it learns with what its frozen kernels learn from fresh
   images, before and after training: the paper's Figures 8, 9 (c,d) and 10 (bottom).

   cc -O2 -fopenmp examples/mnist.c -o mnist -lm
   ./mnist --help */
#define INVMAN_IMPLEMENTATION
#include "tool.h"

typedef struct arguments {
  const char *images, *labels, *out;
  list p;
  range seeds;
  size_t kernel_size, test_size, step_max, memory;
  double h, alpha, tol;
  int momentum;
  task task;
} arguments;

static arguments asked;

static const option options[] = {
    {"--images", "FILE", read_input, &asked.images, 0, 0, NULL,
     "IDX files, unpacked: MNIST's, Fashion-MNIST's, one's own", 0},
    {"--labels", "FILE", read_input, &asked.labels, 0, 0, NULL, "their labels", 0},
    {"--p", "N,N,...", read_list, &asked.p, 12, 0, "200", "training images", 0},
    {"--seeds", "A:B", read_range, &asked.seeds, 0, 1e6, "1:1", "of weights and of the choice of images, from A to B",
     0},
    {"--h", "X", read_positive, &asked.h, 0, 0, "10", "width of the network", 0},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "2e-3",
     "scale of the predictor: small trains features, large is lazy", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1",
     "error of the margins in a step; in proportion to the largest margin, 0.3 of that", 0},
    {"--kernel-size", "N", read_whole, &asked.kernel_size, 12, 0, NULL,
     "fresh images that the kernels learn from (as many as --p)", 0},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, NULL, "test images (all that are left)", 0},
    {"--dynamics", "chain|momentum", read_word, &asked.momentum, 0, 0, "chain",
     "chain: hinge loss, short lazy flows; momentum: the paper's, explicit steps with the soft hinge (beta 3), "
     "momentum "
     "time h, gradient turn 1e-3, output change 0.1",
     0},
    {"--step-max", "N", read_whole, &asked.step_max, 1, 0, NULL, "ends a run after so many steps (none)", 0},
    {"--memory", "MB", read_whole, &asked.memory, 1, (double)(SIZE_MAX >> 20), "512", "for gradients of single images",
     0},
    {"--out", "DIR", read_folder, &asked.out, 0, 0, NULL, "writes there, and goes on from there; made if need be", 0},
    {"--task", "I/N", read_task, &asked.task, 0, 0, NULL,
     "only the I-th of N parts of the runs, to errors.csv.I-of-N; what all parts found is read", 0},
};

static const program description = {
    "mnist",
    "train the convolutional network on images; compare the frozen kernels of its start and of its end",
    "  mnist --images FILE --labels FILE [options]",
    "In DIR:\n"
    "  errors.csv           a line for every p and seed that is done (Fig. 8)\n"
    "  spectrum_P_SEED.csv  the first eigenvectors of the kernels (Fig. 9)\n"
    "  phi_P_SEED.csv       phi_1, phi_2 and label of every kernel image (Fig. 10)\n"
    "  net_P_SEED.conv      the trained network\n"
    "  flow_P_SEED.flow     the run in progress, saved every minute and on Ctrl-C\n"
    "\n"
    "  mnist --images t10k-images-idx3-ubyte --labels t10k-labels-idx1-ubyte --p 200,500,1000 --seeds 1:3 --out "
    "digits\n"
    "\n"
    "Even digits are +1, odd ones -1. Kernels: `all` the weights, `last` the classifier's weight and bias, `hidden` "
    "the "
    "activations that the classifier sees. I is the mutual information of the first eigenvector with the label, in "
    "bits, "
    "omega^2 its share of the labels.\n"
    "\n"
    "Exit status: 0 every run ended; 1 one ended above zero loss; 2 bad input, or a file cannot be written; 3 "
    "interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

/* ---- what is found: one line per p and seed */

#define COLUMNS_LIST(X)           \
  X(P, "p")                       \
  X(SEED, "seed")                 \
  X(STEPS, "steps")               \
  X(SECONDS, "seconds")           \
  X(END, "end")                   \
  X(MARGIN, "least_margin")       \
  X(NET, "net")                   \
  X(ALL_START, "all_start")       \
  X(ALL_END, "all_end")           \
  X(LAST_START, "last_start")     \
  X(LAST_END, "last_end")         \
  X(HIDDEN_START, "hidden_start") \
  X(HIDDEN_END, "hidden_end")     \
  X(I_START, "information_start") \
  X(I_END, "information_end")     \
  X(I_NULL, "information_null")   \
  X(OMEGA_START, "omega2_start")  \
  X(OMEGA_END, "omega2_end")
#define COLUMN(name, text)      name,
#define COLUMN_NAME(name, text) text,
enum { COLUMNS_LIST(COLUMN) COLUMNS };
static const char *const column_names[COLUMNS] = {COLUMNS_LIST(COLUMN_NAME)};

typedef struct row {
  double value[COLUMNS];
  int lost;      /* its files could not be written: it has no line */
  int elsewhere; /* it is another task's */
} row;

typedef struct study {
  const arguments *a;
  invman_context ctx;
  invman_data all;
  size_t shape[3];
  row *rows;
  size_t count, room;
  int bad;
  double saved;        /* when the flow was */
  double work, worked; /* of what was not known at the start, a run counting p */
  invman_flow *flow;   /* the run in progress */
  char *flow_path;
} study;

static void add_row(study *s, const row *r) {
  if (s->count == s->room) s->rows = (row *)enlarge(s->rows, &s->room, sizeof *s->rows);
  s->rows[s->count++] = *r;
}

static const row *find_row(const study *s, size_t p, size_t seed) {
  size_t k;
  for (k = 0; k < s->count; k++)
    if (s->rows[k].value[P] == (double)p && s->rows[k].value[SEED] == (double)seed) return &s->rows[k];
  return NULL;
}

/* DIR/stem_P_SEED.ending, to be freed */
static char *path_of(const study *s, const char *stem, size_t p, size_t seed, const char *ending) {
  text t = {NULL, 0, 0};
  put(&t, "%s/%s_%lu_%lu.%s", s->a->out, stem, (unsigned long)p, (unsigned long)seed, ending);
  return t.at;
}

/* The first lines of errors.csv: the options that its results depend on, and the columns. */
static void put_head(const study *s, text *t) {
  const arguments *a = s->a;
  size_t k;
  put(t,
      "# mnist: %lu images of %lux%lux%lu, h %.17g, alpha %.17g, tol %.17g, kernel size %lu, test size %lu, dynamics "
      "%s, "
      "step max %lu\n",
      (unsigned long)s->all.n, (unsigned long)s->shape[0], (unsigned long)s->shape[1], (unsigned long)s->shape[2], a->h,
      a->alpha, a->tol, (unsigned long)a->kernel_size, (unsigned long)a->test_size, a->momentum ? "momentum" : "chain",
      (unsigned long)a->step_max);
  for (k = 0; k < COLUMNS; k++) put(t, "%s%s", column_names[k], k + 1 < COLUMNS ? "," : "\n");
}

/* That of this task, or the one of all. */
static char *rows_path(const study *s) {
  char *all = joined(s->a->out, "/", "errors.csv"), *own;
  if (s->a->task.count == 0) return all;
  own = task_path(all, &s->a->task);
  free(all);
  return own;
}

static int write_rows(const study *s) {
  char *path = rows_path(s);
  text t = {NULL, 0, 0};
  size_t i, k;
  int good;
  put_head(s, &t);
  for (i = 0; i < s->count; i++)
    for (k = 0; k < COLUMNS && !s->rows[i].lost && !s->rows[i].elsewhere; k++)
      put(&t, "%.10g%c", s->rows[i].value[k], k + 1 < COLUMNS ? ',' : '\n');
  good = save(path, &t);
  free(path);
  return good;
}

/* A line of errors.csv; returns where the next one begins. What other tasks found, which may be there twice, remains
   theirs, and becomes this program's where that has no task. */
static const char *read_row(study *s, const char *at, const char *path, size_t number, int others) {
  row r = {{0}, 0, 0};
  size_t k;
  for (k = 0; k < COLUMNS; k++) {
    char *end;
    r.value[k] = strtod(at, &end);
    if (end == at || *end != (k + 1 < COLUMNS ? ',' : '\n'))
      fail("%s: line %lu is no row", path, (unsigned long)number);
    at = end + 1;
  }
  r.elsewhere = others && s->a->task.count > 0;
  if (!find_row(s, (size_t)r.value[P], (size_t)r.value[SEED])) add_row(s, &r);
  else if (!others) fail("%s: line %lu comes twice", path, (unsigned long)number);
  return at;
}

static void read_file(study *s, const char *path, int others) {
  size_t size, number = 3;
  char *all = kind_of(path) == NOTHING ? NULL : read_whole_file(path, &size);
  const char *at;
  text head = {NULL, 0, 0};
  put_head(s, &head);
  if (all && strncmp(all, head.at, head.length)) fail("%s was made with other options or images", path);
  for (at = all ? all + head.length : ""; *at; number++) at = read_row(s, at, path, number, others);
  drop(&head);
  free(all);
}

/* What earlier runs have found. */
static void read_rows(study *s) {
  char *path, *shared;
  paths others;
  size_t k;
  if (!s->a->out) return;
  need_folder(s->a->out);
  path = rows_path(s);
  shared = joined(s->a->out, "/", "errors.csv");
  others = names_like(shared, names_task);
  check_writable(path);
  read_file(s, path, 0);
  if (s->a->task.count > 0) read_file(s, shared, 1);
  for (k = 0; k < others.count; k++) {
    if (!same_file(path, others.at[k])) read_file(s, others.at[k], 1);
    free(others.at[k]);
  }
  if (!write_rows(s)) exit(2); /* now, and not after hours */
  free(others.at);
  free(path);
  free(shared);
}

/* ---- while it runs */

/* A part of a run, of which the shares are. */
static void begin(const study *s, size_t p, size_t seed, const char *what, double before, double share) {
  double run = (double)p / s->work;
  begin_stage(s->worked / s->work + before * run, share * run, "p = %lu, seed %lu: %s", (unsigned long)p,
              (unsigned long)seed, what);
  progress("", 0, NULL);
}

/* Called after every step. */
static int save_flow(const invman_flow_info *info, const invman_net *net, void *user) {
  study *s = (study *)user;
  (void)info;
  (void)net;
  if (s->flow_path && seconds() - s->saved > 60) {
    saved(invman_flow_save(s->flow, s->flow_path), s->flow_path);
    s->saved = seconds();
  }
  return 0;
}

/* ---- the images */

static void load(study *s) {
  const char *const files[2] = {s->a->images, s->a->labels};
  s->all = read_images(&s->ctx, files, s->shape);
}

/* n images from the first one on that no other part has. */
static invman_data images(const study *s, size_t *first, size_t n, const char *flag) {
  if (n > s->all.n - *first)
    fail("%s %lu: only %lu of %lu images are left", flag, (unsigned long)n, (unsigned long)(s->all.n - *first),
         (unsigned long)s->all.n);
  return part(&s->all, first, n, flag, s->a->images);
}

typedef struct problem {
  invman_data train, fresh, test; /* views of all images */
} problem;

/* The images of one p: the first ones train, so that those of a larger p hold those of a smaller one; the kernels learn
   from the ones that follow the largest p. */
static problem divide(const study *s, size_t p) {
  const arguments *a = s->a;
  problem q;
  size_t first = 0, largest = 0, k;
  for (k = 0; k < a->p.count; k++) largest = a->p.value[k] > (double)largest ? (size_t)a->p.value[k] : largest;
  q.train = images(s, &first, largest, "--p");
  q.train.n = p;
  q.fresh = images(s, &first, a->kernel_size ? a->kernel_size : largest, "--kernel-size");
  q.fresh.n = a->kernel_size ? a->kernel_size : p;
  if (!a->test_size && first == s->all.n) fail("%s: no images are left to test with", a->images);
  q.test = images(s, &first, a->test_size ? a->test_size : s->all.n - first, "--test-size");
  return q;
}

/* ---- the network */

static invman_convnet *make_net(study *s, size_t seed) {
  invman_convnet_options o;
  invman_convnet *net;
  invman_rng rng;
  memset(&o, 0, sizeof o);
  o.channels = s->shape[0];
  o.height = s->shape[1];
  o.width = s->shape[2];
  o.width_factor = s->a->h;
  o.memory = s->a->memory << 20;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  check(invman_convnet_create(&s->ctx, &o, &rng, &net), "network");
  return net;
}

static void show_net(study *s) {
  invman_convnet *net = make_net(s, 1);
  size_t k;
  show("%lu convolutions, %lu weights; sides", (unsigned long)invman_convnet_layers(net),
       (unsigned long)invman_convnet_size(net));
  for (k = 0; k < invman_convnet_layers(net); k++) {
    invman_convnet_layer layer;
    check(invman_convnet_get_layer(net, k, &layer), "network");
    if (layer.kind != INVMAN_CONV_POINTWISE) show(" %lux%lu", (unsigned long)layer.height, (unsigned long)layer.width);
  }
  show("\n");
  invman_convnet_free(net);
}

/* Trains the network, from where an earlier run stopped if one did. Seconds: of this run of the program; -1 where it
   was not the only one. */
static void train(study *s, const problem *q, invman_convnet *net, row *r) {
  invman_model model = invman_convnet_model(net);
  invman_flow_options o;
  const invman_flow_info *info;
  double began = seconds();
  int resumed = s->flow_path && kind_of(s->flow_path) == PLAIN;
  memset(&o, 0, sizeof o);
  o.alpha = s->a->alpha;
  o.margin_tol = s->a->tol;
  o.relative_tol = 0.3 * s->a->tol;
  o.step_max = s->a->step_max;
  o.report = save_flow;
  o.user = s;
  if (s->a->momentum) {
    o.dynamics = INVMAN_MOMENTUM;
    o.momentum = s->a->h;
    o.loss = INVMAN_SOFT_HINGE;
    o.loss_beta = 3;
  }
  if (resumed) check(invman_flow_resume_model(&s->ctx, s->flow_path, &model, &q->train, &o, &s->flow), s->flow_path);
  else check(invman_flow_create_model(&s->ctx, &model, &q->train, &o, &s->flow), "training");
  s->saved = seconds();
  check(invman_flow_run(s->flow), "training");
  if (interrupted && s->flow_path) saved(invman_flow_save(s->flow, s->flow_path), s->flow_path);
  info = invman_flow_get_info(s->flow);
  r->value[STEPS] = (double)info->step;
  r->value[SECONDS] = resumed ? -1 : seconds() - began;
  r->value[END] = (double)info->end;
  r->value[MARGIN] = info->margin_min;
  r->value[NET] = flow_error(s->flow, &q->test);
  invman_flow_free(s->flow);
  s->flow = NULL;
}

/* ---- kernels */

enum { COMPONENTS = 10, NULL_DRAWS = 20, STREAM_SHUFFLE = 5, GRADIENTS = 256 };

typedef struct kernel {
  const char *name, *key; /* key: in the files; NULL: its eigenvectors are not looked at */
  int end, part, column;
  double lambda[COMPONENTS], bits[COMPONENTS], null[COMPONENTS], omega2[COMPONENTS], *phi /* (COMPONENTS, n) */;
} kernel;

enum { KERNELS = 6 };
static const kernel kernel_list[KERNELS] = {
    {"the kernel at the start", "start", 0, INVMAN_NTK_ALL, ALL_START, {0}, {0}, {0}, {0}, NULL},
    {"the kernel at the end", "end", 1, INVMAN_NTK_ALL, ALL_END, {0}, {0}, {0}, {0}, NULL},
    {"the last layer's at the start", NULL, 0, INVMAN_NTK_LAST_LAYER, LAST_START, {0}, {0}, {0}, {0}, NULL},
    {"the last layer's at the end", "last", 1, INVMAN_NTK_LAST_LAYER, LAST_END, {0}, {0}, {0}, {0}, NULL},
    {"the activations' at the start", NULL, 0, INVMAN_NTK_HIDDEN, HIDDEN_START, {0}, {0}, {0}, {0}, NULL},
    {"the activations' at the end", NULL, 1, INVMAN_NTK_HIDDEN, HIDDEN_END, {0}, {0}, {0}, {0}, NULL}};

/* What the kernel has learned at the test images, F(x) = df/dW(x) . sum_mu a_mu df/dW(x_mu), over the weights of its
   part: one gradient an image, where K(x, x_mu) would take two and a product. The hidden layer's kernel is that of the
   classifier's weight, up to a factor. */
static void predict(const kernel *k, const invman_convnet *net, const invman_data *fresh, const double *a,
                    const invman_data *test, double *F) {
  size_t N = invman_convnet_size(net), last, first, i, j;
  double *weights = numbers(N, 1), *J = numbers(GRADIENTS, N);
  invman_convnet_layer head;
  check(invman_convnet_get_layer(net, invman_convnet_layers(net) - 1, &head), "network");
  first = k->part == INVMAN_NTK_ALL ? 0 : head.first + head.weights; /* the classifier comes last, its bias after all */
  last = k->part == INVMAN_NTK_HIDDEN ? N - 1 : N;
  check(invman_convnet_gradient(net, fresh->x, fresh->n, a, weights), "prediction");
  for (i = 0; i < test->n && !interrupted; i += GRADIENTS) {
    size_t count = test->n - i < GRADIENTS ? test->n - i : GRADIENTS, mu;
    progress("", (double)i / (double)test->n, NULL);
    check(invman_convnet_jacobian(net, test->x + i * test->d, count, J), "prediction");
    for (mu = 0; mu < count; mu++)
      for (j = first, F[i + mu] = 0; j < last; j++) F[i + mu] += weights[j] * J[mu * N + j];
  }
  free(weights);
  free(J);
}

static void measure_components(study *s, kernel *k, const double *K, const invman_data *fresh, size_t seed) {
  invman_rng rng;
  size_t c;
  k->phi = numbers(COMPONENTS, fresh->n);
  check(invman_kernel_pca(&s->ctx, K, fresh->y, fresh->n, COMPONENTS, k->lambda, k->phi, k->omega2), k->name);
  invman_rng_seed(&rng, seed, STREAM_SHUFFLE);
  for (c = 0; c < COMPONENTS && !interrupted; c++) {
    const double *phi = k->phi + c * fresh->n;
    check(invman_mutual_information(&s->ctx, phi, 1, fresh->y, fresh->n, NULL, &k->bits[c]), k->name);
    check(
        invman_mutual_information_null(&s->ctx, phi, 1, fresh->y, fresh->n, NULL, NULL_DRAWS, &rng, &k->null[c], NULL),
        k->key);
  }
}

/* What a kernel learns from fresh images, to the rest of its lazy flow, and its principal components. */
static void measure(study *s, kernel *k, const invman_convnet *net, const problem *q, size_t seed, row *r) {
  size_t n = q->fresh.n;
  double *K = numbers(n, n), *a = numbers(n, 1), *F = numbers(q->test.n, 1);
  invman_lazy_info info;
  check(invman_convnet_ntk_gram(net, k->part, q->fresh.x, n, NULL, 0, K), k->name);
  if (!interrupted) check(invman_lazy_train(&s->ctx, K, q->fresh.y, n, NULL, a, &info), k->name);
  if (!interrupted && k->key) measure_components(s, k, K, &q->fresh, seed);
  if (!interrupted) predict(k, net, &q->fresh, a, &q->test, F);
  if (!interrupted) r->value[k->column] = share_of_errors(F, &q->test);
  free(K);
  free(a);
  free(F);
}

/* ---- what comes out */

static int write_spectrum(const char *path, const kernel *kernels) {
  text t = {NULL, 0, 0};
  size_t k, c;
  put(&t, "kernel,k,lambda,mutual_information,null_mean,omega2\n");
  for (k = 0; k < KERNELS; k++)
    for (c = 0; c < COMPONENTS && kernels[k].key; c++)
      put(&t, "%s,%lu,%.17g,%.6g,%.6g,%.6g\n", kernels[k].key, (unsigned long)(c + 1), kernels[k].lambda[c],
          kernels[k].bits[c], kernels[k].null[c], kernels[k].omega2[c]);
  return save(path, &t);
}

static int write_phi(const char *path, const kernel *kernels, const invman_data *fresh) {
  text t = {NULL, 0, 0};
  size_t k, i;
  put(&t, "kernel,phi_1,phi_2,label\n");
  for (k = 0; k < KERNELS; k++)
    for (i = 0; i < fresh->n && kernels[k].key; i++)
      put(&t, "%s,%.17g,%.17g,%g\n", kernels[k].key, kernels[k].phi[i], kernels[k].phi[fresh->n + i], fresh->y[i]);
  return save(path, &t);
}

static void show_head(void) {
  show("%6s %6s %6s %8s %7s | %7s %7s | %7s %7s | %7s %7s | %6s %6s | %7s %7s\n", "", "", "", "", "", "all", "", "last",
       "", "hidden", "", "I", "", "omega^2", "");
  show("%6s %6s %6s %8s %7s | %7s %7s | %7s %7s | %7s %7s | %6s %6s | %7s %7s\n", "p", "seed", "steps", "seconds",
       "net", "start", "end", "start", "end", "start", "end", "start", "end", "start", "end");
}

static void show_values(const row *r) {
  const double *v = r->value;
  show(" %6.0f %8.0f %7.4f | %7.4f %7.4f | %7.4f %7.4f | %7.4f %7.4f | %6.3f %6.3f | %7.4f %7.4f\n", v[STEPS],
       v[SECONDS], v[NET], v[ALL_START], v[ALL_END], v[LAST_START], v[LAST_END], v[HIDDEN_START], v[HIDDEN_END],
       v[I_START], v[I_END], v[OMEGA_START], v[OMEGA_END]);
}

static void show_row(study *s, const row *r) {
  int end = (int)r->value[END];
  show("%6.0f %6.0f", r->value[P], r->value[SEED]);
  show_values(r);
  if (end == INVMAN_END_SATISFIED) return;
  show("              the network: %s; least margin %.4f\n", end_string(end), r->value[MARGIN]);
  s->bad |= end == INVMAN_END_REST || end == INVMAN_END_ROUNDING;
}

/* Means over the seeds, and how they scatter. */
static void show_means(const study *s) {
  const arguments *a = s->a;
  size_t i, k, c;
  show("means over the seeds, and standard deviations\n");
  for (i = 0; i < a->p.count; i++) {
    row mean, deviation;
    double n = 0;
    memset(&mean, 0, sizeof mean);
    memset(&deviation, 0, sizeof deviation);
    for (k = 0; k < s->count; k++) n += s->rows[k].value[P] == a->p.value[i];
    for (k = 0; k < s->count; k++)
      for (c = 0; c < COLUMNS && s->rows[k].value[P] == a->p.value[i]; c++) mean.value[c] += s->rows[k].value[c] / n;
    for (k = 0; k < s->count; k++)
      for (c = 0; c < COLUMNS && s->rows[k].value[P] == a->p.value[i]; c++)
        deviation.value[c] += (s->rows[k].value[c] - mean.value[c]) * (s->rows[k].value[c] - mean.value[c]) / (n - 1);
    for (c = 0; c < COLUMNS; c++) deviation.value[c] = sqrt(deviation.value[c]);
    if (n < 2) continue;
    show("%6lu %6.0f", (unsigned long)a->p.value[i], n);
    show_values(&mean);
    show("%6s %6s", "", "+-");
    show_values(&deviation);
  }
}

/* ---- one p and seed */

/* The line comes last: what has one has everything. */
static void write_results(const study *s, const kernel *kernels, const invman_data *fresh, const invman_convnet *net,
                          size_t p, size_t seed) {
  char *path[3];
  int good, k;
  path[0] = path_of(s, "net", p, seed, "conv");
  path[1] = path_of(s, "spectrum", p, seed, "csv");
  path[2] = path_of(s, "phi", p, seed, "csv");
  good = saved(invman_convnet_save(net, path[0]), path[0]);
  good &= write_spectrum(path[1], kernels);
  good &= write_phi(path[2], kernels, fresh);
  for (k = 0; k < 3; k++) free(path[k]);
  s->rows[s->count - 1].lost = !good;
  good = good && write_rows(s);
  if (good) remove(s->flow_path);
}

static void run(study *s, size_t p, size_t seed) {
  invman_rng rng;
  problem q;
  kernel kernels[KERNELS];
  invman_convnet *before = make_net(s, seed), *end;
  row r;
  size_t k;
  load(s);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&s->all, &rng);
  q = divide(s, p);
  need_labels(&q.train, 6, "--p", "images");
  need_labels(&q.fresh, 6, "--kernel-size", "images");
  check(invman_convnet_copy(before, &end), "network");
  memset(&r, 0, sizeof r);
  r.value[P] = (double)p;
  r.value[SEED] = (double)seed;
  s->flow_path = s->a->out ? path_of(s, "flow", p, seed, "flow") : NULL;

  begin(s, p, seed, "training the network", 0, 0.5);
  train(s, &q, end, &r);
  memcpy(kernels, kernel_list, sizeof kernels);
  for (k = 0; k < KERNELS && !interrupted; k++) {
    begin(s, p, seed, kernels[k].name, 0.5 + (double)k / (2 * KERNELS), 1.0 / (2 * KERNELS));
    measure(s, &kernels[k], kernels[k].end ? end : before, &q, seed, &r);
  }
  r.value[I_START] = kernels[0].bits[0];
  r.value[I_END] = kernels[1].bits[0];
  r.value[I_NULL] = kernels[1].null[0];
  r.value[OMEGA_START] = kernels[0].omega2[0];
  r.value[OMEGA_END] = kernels[1].omega2[0];
  if (!interrupted) {
    add_row(s, &r);
    show_row(s, &r);
    if (s->a->out) write_results(s, kernels, &q.fresh, end, p, seed);
    s->worked += (double)p;
  }

  for (k = 0; k < KERNELS; k++) free(kernels[k].phi);
  invman_convnet_free(before);
  invman_convnet_free(end);
  invman_data_free(&s->ctx, &s->all);
  free(s->flow_path);
  s->flow_path = NULL;
}

/* Whether a run is this program's, and not known. */
static int is_left(const study *s, size_t i, size_t k) {
  const arguments *a = s->a;
  return is_mine(&a->task, i * a->seeds.count + k) && !find_row(s, (size_t)a->p.value[i], a->seeds.first + k);
}

int main(int argc, char **argv) {
  const arguments *a = &asked;
  study s;
  size_t i, k;
  start(argc, argv, &description);
  if (!a->images || !a->labels) fail("give --images and --labels; see --help");
  if (a->task.count > 0 && !a->out) fail("--task: --out says where");
  memset(&s, 0, sizeof s);
  s.a = a;
  s.ctx.error = &error;
  s.ctx.progress = progress;
  load(&s);
  for (i = 0; i < a->p.count; i++) divide(&s, (size_t)a->p.value[i]);
  read_rows(&s);
  show_net(&s);
  invman_data_free(&s.ctx, &s.all);
  for (i = 0; i < a->p.count; i++)
    for (k = 0; k < a->seeds.count; k++)
      if (is_left(&s, i, k)) s.work += a->p.value[i];

  begin_work();
  show_head();
  for (i = 0; i < s.count; i++) show_row(&s, &s.rows[i]);
  for (i = 0; i < a->p.count; i++)
    for (k = 0; k < a->seeds.count && !interrupted; k++)
      if (is_left(&s, i, k)) run(&s, (size_t)a->p.value[i], a->seeds.first + k);
  if (!interrupted && a->seeds.count > 1) show_means(&s);
  if (interrupted) show("\nstopped%s\n", a->out ? ": the same command goes on" : "");
  free(s.rows);
  return finish(s.bad);
}
