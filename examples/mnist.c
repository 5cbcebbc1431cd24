/* Compression in a deep network on real images: trains the sixteen-layer convolutional network in the feature regime on
   the parity of digits (or any IDX images), and compares what it learns with what its frozen kernels learn from fresh
   images, before and after training: the paper's Figures 8, 9 (c,d) and 10 (bottom).

   cc -O2 -fopenmp -I.. mnist.c -o mnist -lm
   ./mnist --help */
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
    "mnist - train the convolutional network on images; compare the frozen kernels of its start and of its end\n"
    "\n"
    "  mnist --images FILE --labels FILE [options]   IDX files, unpacked: MNIST's, Fashion-MNIST's, one's own\n"
    "\n"
    "  --p LIST         training images, as 200,500,1000 (200)\n"
    "  --seeds A:B      of weights and of the choice of images, from A to B (1:1)\n"
    "  --h X            width of the network (10)\n"
    "  --alpha A        scale of the predictor: small trains features, large is lazy (2e-3)\n"
    "  --tol X          error of the margins in a step (0.1); in proportion to the largest margin, 0.3 of that\n"
    "  --kernel-size N  fresh images that the kernels learn from (as many as --p)\n"
    "  --test-size N    test images (all that are left)\n"
    "  --dynamics D     chain: hinge loss, short lazy flows; momentum: the paper's, explicit steps with the soft "
    "hinge\n"
    "                   (beta 3), momentum time h, gradient turn 1e-3, output change 0.1 (chain)\n"
    "  --step-max N     ends a run after so many steps (none)\n"
    "  --memory MB      for gradients of single images (512)\n"
    "  --out DIR        writes there, and goes on from there:\n"
    "                     errors.csv            a line for every p and seed that is done (Fig. 8)\n"
    "                     spectrum_P_SEED.csv   the first eigenvectors of the kernels (Fig. 9)\n"
    "                     phi_P_SEED.csv        phi_1, phi_2 and label of every kernel image (Fig. 10)\n"
    "                     net_P_SEED.conv       the trained network\n"
    "                     flow_P_SEED.flow      the run in progress, saved every minute and on Ctrl-C\n"
    "  --help, --version\n"
    "\n"
    "  mnist --images t10k-images-idx3-ubyte --labels t10k-labels-idx1-ubyte --p 200,500,1000 --seeds 1:3 --out "
    "digits\n"
    "\n"
    "Even digits are +1, odd ones -1. Kernels: `all` the weights, `last` the classifier's weight and bias, `hidden` "
    "the\n"
    "activations that the classifier sees. I is the mutual information of the first eigenvector with the label, in "
    "bits,\n"
    "omega^2 its share of the labels.\n"
    "\n"
    "Exit status: 0 every run ended, or Ctrl-C ended it; 1 one ended above zero loss; 2 bad input.\n";

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fputs("mnist: ", stderr);
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

static double *numbers(size_t rows, size_t columns) {
  double *memory = columns > 0 && rows > SIZE_MAX / sizeof(double) / columns
                       ? NULL
                       : (double *)malloc(rows * columns * sizeof(double) + 1);
  if (!memory) fail("out of memory");
  return memory;
}

/* ---- the command line */

enum { P_MAX = 64 };

typedef struct arguments {
  const char *images, *labels, *out;
  size_t p[P_MAX], p_count, first_seed, last_seed, kernel_size, test_size, step_max, memory;
  double h, alpha, tol;
  int momentum;
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

/* The text up to a separator, or to the end; returns what follows, NULL at the end. */
static const char *next_value(const char *flag, const char *list, char separator, char value[32]) {
  const char *end = strchr(list, separator);
  size_t length = end ? (size_t)(end - list) : strlen(list);
  if (length >= 32) fail("%s: '%s' has too long a number", flag, list);
  memcpy(value, list, length);
  value[length] = 0;
  return end ? end + 1 : NULL;
}

static void parse_p(const char *flag, const char *list, arguments *a) {
  char value[32];
  for (a->p_count = 0; list; a->p_count++) {
    if (a->p_count == P_MAX) fail("%s: more than %d values", flag, P_MAX);
    list = next_value(flag, list, ',', value);
    a->p[a->p_count] = whole_number(flag, value, 12);
  }
}

static void parse_seeds(const char *flag, const char *text, arguments *a) {
  char value[32];
  const char *last = next_value(flag, text, ':', value);
  a->first_seed = a->last_seed = whole_number(flag, value, 0);
  if (last) a->last_seed = whole_number(flag, last, a->first_seed);
}

static int parse_dynamics(const char *flag, const char *name) {
  if (!strcmp(name, "chain")) return 0;
  if (strcmp(name, "momentum")) fail("%s: '%s' is neither chain nor momentum", flag, name);
  return 1;
}

static void parse(int argc, char **argv, arguments *a) {
  int i;
  memset(a, 0, sizeof *a);
  a->p[0] = 200;
  a->p_count = a->first_seed = a->last_seed = 1;
  a->h = 10;
  a->alpha = 2e-3;
  a->tol = 0.1;
  a->memory = 512;
  for (i = 1; i < argc; i++) {
    const char *flag = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) {
      fputs(help, stdout);
      exit(0);
    }
    if (!strcmp(flag, "--version")) {
      printf("mnist, invman.h %d.%d.%d\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
      exit(0);
    }
    if (strncmp(flag, "--", 2)) fail("'%s' is not an option; see --help", flag);
    if (!value) fail("%s: unknown, or its value is missing; see --help", flag);
    i++;
    if (!strcmp(flag, "--images")) a->images = value;
    else if (!strcmp(flag, "--labels")) a->labels = value;
    else if (!strcmp(flag, "--out")) a->out = value;
    else if (!strcmp(flag, "--p")) parse_p(flag, value, a);
    else if (!strcmp(flag, "--seeds")) parse_seeds(flag, value, a);
    else if (!strcmp(flag, "--h")) a->h = positive_number(flag, value);
    else if (!strcmp(flag, "--alpha")) a->alpha = positive_number(flag, value);
    else if (!strcmp(flag, "--tol")) a->tol = positive_number(flag, value);
    else if (!strcmp(flag, "--kernel-size")) a->kernel_size = whole_number(flag, value, 12);
    else if (!strcmp(flag, "--test-size")) a->test_size = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--dynamics")) a->momentum = parse_dynamics(flag, value);
    else if (!strcmp(flag, "--step-max")) a->step_max = whole_number(flag, value, 1);
    else if (!strcmp(flag, "--memory")) a->memory = whole_number(flag, value, 1);
    else fail("%s: unknown option; see --help", flag);
  }
  if (!a->images || !a->labels) fail("give --images and --labels; see --help");
  if (a->tol > 1) fail("--tol must be at most 1");
  if (a->memory > SIZE_MAX >> 20) fail("--memory is more than there is");
}

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
} row;

typedef struct study {
  const arguments *a;
  invman_context ctx;
  invman_data all;
  size_t shape[3];
  row *rows;
  size_t count, room;
  int terminal, bad;
  double shown, saved; /* when progress was last said, and the flow saved */
  const char *stage;
  invman_flow *flow; /* the run in progress */
  char *flow_path;
} study;

static void add_row(study *s, const row *r) {
  if (s->count == s->room) {
    s->room = 2 * s->room + 16;
    s->rows = (row *)realloc(s->rows, s->room * sizeof *s->rows);
    if (!s->rows) fail("out of memory");
  }
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
  size_t room = strlen(s->a->out) + strlen(stem) + strlen(ending) + 64;
  char *path = (char *)malloc(room);
  if (!path) fail("out of memory");
  if (p > 0) snprintf(path, room, "%s/%s_%lu_%lu.%s", s->a->out, stem, (unsigned long)p, (unsigned long)seed, ending);
  else snprintf(path, room, "%s/%s.%s", s->a->out, stem, ending);
  return path;
}

/* Files are written under a temporary name first: what is called `path` is whole. */
static FILE *begin_file(const char *path, char **name) {
  FILE *file;
  *name = (char *)malloc(strlen(path) + 5);
  if (!*name) fail("out of memory");
  strcpy(*name, path);
  strcat(*name, ".tmp");
  file = fopen(*name, "wb");
  if (!file) fail("%s: cannot be created", path);
  return file;
}

static void end_file(FILE *file, char *name, const char *path) {
  int failed = ferror(file);
  failed |= fclose(file) != 0;
#ifdef _WIN32
  if (!failed) remove(path);
#endif
  if (failed || rename(name, path) != 0) {
    remove(name);
    fail("%s: cannot be written", path);
  }
  free(name);
}

/* The first lines of errors.csv: the options that its results depend on, and the columns. */
static void write_head(const study *s, char *text, size_t room) {
  const arguments *a = s->a;
  size_t used, k;
  snprintf(text, room,
           "# mnist: %lu images of %lux%lux%lu, h %.17g, alpha %.17g, tol %.17g, kernel size %lu, test size %lu, "
           "dynamics %s, step max %lu\n",
           (unsigned long)s->all.n, (unsigned long)s->shape[0], (unsigned long)s->shape[1], (unsigned long)s->shape[2],
           a->h, a->alpha, a->tol, (unsigned long)a->kernel_size, (unsigned long)a->test_size,
           a->momentum ? "momentum" : "chain", (unsigned long)a->step_max);
  for (k = 0; k < COLUMNS; k++) {
    used = strlen(text);
    snprintf(text + used, room - used, "%s%s", column_names[k], k + 1 < COLUMNS ? "," : "\n");
  }
}

static void write_rows(const study *s) {
  char *path, *name, head[1024];
  FILE *file;
  size_t i, k;
  if (!s->a->out) return;
  path = path_of(s, "errors", 0, 0, "csv");
  file = begin_file(path, &name);
  write_head(s, head, sizeof head);
  fputs(head, file);
  for (i = 0; i < s->count; i++)
    for (k = 0; k < COLUMNS; k++) fprintf(file, "%.10g%c", s->rows[i].value[k], k + 1 < COLUMNS ? ',' : '\n');
  end_file(file, name, path);
  free(path);
}

/* What an earlier run has found. */
static void read_rows(study *s) {
  char *path, head[1024], line[1024];
  FILE *file;
  size_t number = 0, k;
  if (!s->a->out) return;
  path = path_of(s, "errors", 0, 0, "csv");
  file = fopen(path, "rb");
  if (file) {
    write_head(s, head, sizeof head);
    for (k = 0; head[k]; k++)
      if (fgetc(file) != (unsigned char)head[k]) fail("%s was made with other options or images", path);
    for (number = 3; fgets(line, sizeof line, file); number++) {
      const char *at = line;
      char *end = line;
      row r;
      for (k = 0; k < COLUMNS; k++, at = end + 1) {
        r.value[k] = strtod(at, &end);
        if (end == at || *end != (k + 1 < COLUMNS ? ',' : '\n'))
          fail("%s: line %lu is no row", path, (unsigned long)number);
      }
      if (find_row(s, (size_t)r.value[P], (size_t)r.value[SEED]))
        fail("%s: line %lu comes twice", path, (unsigned long)number);
      add_row(s, &r);
    }
    fclose(file);
  }
  write_rows(s); /* fails now, and not after hours, where it cannot */
  free(path);
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

static int progress(const char *stage, double done, void *user) {
  study *s = (study *)user;
  (void)stage;
  if (s->terminal && seconds() - s->shown > 0.1) {
    s->shown = seconds();
    fprintf(stderr, "\r%-40s %5.1f %%  ", s->stage, done > 0 ? 100 * done : 0);
    fflush(stderr);
  }
  return interrupted != 0;
}

static void begin(study *s, const char *stage) {
  s->stage = stage;
  if (s->terminal) fprintf(stderr, "\r%-60s", stage);
}

/* Called after every step. */
static int save_flow(const invman_flow_info *info, const invman_net *net, void *user) {
  study *s = (study *)user;
  (void)info;
  (void)net;
  if (s->flow_path && seconds() - s->saved > 60) {
    check(invman_flow_save(s->flow, s->flow_path), s->flow_path);
    s->saved = seconds();
  }
  return 0;
}

/* ---- the images */

static void load(study *s) {
  invman_idx_options options;
  invman_status status;
  memset(&options, 0, sizeof options);
  options.centre = 1;
  options.shape = s->shape;
  status = invman_data_read_idx(&s->ctx, s->a->images, s->a->labels, &options, &s->all);
  check(status, error.what && strncmp(error.what, "labels", 6) == 0 ? s->a->labels : s->a->images);
}

/* n images from the first one on that no other part has. */
static invman_data part(const study *s, size_t *first, size_t n, const char *flag) {
  invman_data view = s->all;
  if (n > s->all.n - *first)
    fail("%s %lu: only %lu of %lu images are left", flag, (unsigned long)n, (unsigned long)(s->all.n - *first),
         (unsigned long)s->all.n);
  view.n = n;
  view.x += *first * view.d;
  view.y += *first;
  *first += n;
  return view;
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
  for (k = 0; k < a->p_count; k++) largest = a->p[k] > largest ? a->p[k] : largest;
  q.train = part(s, &first, largest, "--p");
  q.train.n = p;
  q.fresh = part(s, &first, a->kernel_size ? a->kernel_size : largest, "--kernel-size");
  q.fresh.n = a->kernel_size ? a->kernel_size : p;
  if (!a->test_size && first == s->all.n) fail("%s: no images are left to test with", a->images);
  q.test = part(s, &first, a->test_size ? a->test_size : s->all.n - first, "--test-size");
  return q;
}

static void check_labels(const invman_data *data, const char *flag) {
  size_t i, plus = 0;
  for (i = 0; i < data->n; i++) plus += data->y[i] > 0;
  if (plus < 6 || data->n - plus < 6)
    fail("%s: of %lu images %lu have the label +1; at least 6 of each label are needed", flag, (unsigned long)data->n,
         (unsigned long)plus);
}

static double share_of_errors(const double *F, const invman_data *test) {
  size_t i, wrong = 0;
  for (i = 0; i < test->n; i++) wrong += !(test->y[i] * F[i] > 0);
  return (double)wrong / (double)test->n;
}

/* ---- the network */

static invman_convnet *make_net(study *s, size_t seed) {
  invman_convnet_options options;
  invman_convnet *net;
  invman_rng rng;
  memset(&options, 0, sizeof options);
  options.channels = s->shape[0];
  options.height = s->shape[1];
  options.width = s->shape[2];
  options.width_factor = s->a->h;
  options.memory = s->a->memory << 20;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  check(invman_convnet_create(&s->ctx, &options, &rng, &net), "network");
  return net;
}

static void show_net(study *s) {
  invman_convnet *net = make_net(s, 1);
  size_t k;
  printf("%lu convolutions, %lu weights; sides", (unsigned long)invman_convnet_layers(net),
         (unsigned long)invman_convnet_size(net));
  for (k = 0; k < invman_convnet_layers(net); k++) {
    invman_convnet_layer layer;
    check(invman_convnet_get_layer(net, k, &layer), "network");
    if (layer.kind != INVMAN_CONV_POINTWISE)
      printf(" %lux%lu", (unsigned long)layer.height, (unsigned long)layer.width);
  }
  putchar('\n');
  invman_convnet_free(net);
}

static int file_exists(const char *path) {
  FILE *file = path ? fopen(path, "rb") : NULL;
  if (file) fclose(file);
  return file != NULL;
}

/* Trains the network, from where an earlier run stopped if one did. Seconds: of this run of the program; -1 where it
   was not the only one. */
static void train(study *s, const problem *q, invman_convnet *net, row *r) {
  invman_model model = invman_convnet_model(net);
  invman_flow_options options;
  const invman_flow_info *info;
  double start = seconds(), *F = numbers(q->test.n, 1);
  int resumed = file_exists(s->flow_path);
  memset(&options, 0, sizeof options);
  options.alpha = s->a->alpha;
  options.margin_tol = s->a->tol;
  options.rotation_tol = 0.3 * s->a->tol;
  options.step_max = s->a->step_max;
  options.report = save_flow;
  options.user = s;
  if (s->a->momentum) {
    options.dynamics = INVMAN_MOMENTUM;
    options.momentum = s->a->h;
    options.loss = INVMAN_SOFT_HINGE;
    options.loss_beta = 3;
  }
  if (resumed)
    check(invman_flow_resume_model(&s->ctx, s->flow_path, &model, &q->train, &options, &s->flow), s->flow_path);
  else check(invman_flow_create_model(&s->ctx, &model, &q->train, &options, &s->flow), "training");
  s->saved = seconds();
  check(invman_flow_run(s->flow), "training");
  if (interrupted && s->flow_path) check(invman_flow_save(s->flow, s->flow_path), s->flow_path);
  check(invman_flow_predict(s->flow, q->test.x, q->test.n, F), "prediction");
  info = invman_flow_get_info(s->flow);
  r->value[STEPS] = (double)info->step;
  r->value[SECONDS] = resumed ? -1 : seconds() - start;
  r->value[END] = (double)info->end;
  r->value[MARGIN] = info->margin_min;
  r->value[NET] = share_of_errors(F, &q->test);
  invman_flow_free(s->flow);
  s->flow = NULL;
  free(F);
}

/* ---- kernels */

enum { COMPONENTS = 10, NULL_DRAWS = 20, STREAM_SHUFFLE = 5, BLOCK = 256 };

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
static void predict(study *s, const kernel *k, const invman_convnet *net, const invman_data *fresh, const double *a,
                    const invman_data *test, double *F) {
  size_t N = invman_convnet_size(net), last, first, i, j;
  double *weights = numbers(N, 1), *J = numbers(BLOCK, N);
  invman_convnet_layer head;
  check(invman_convnet_get_layer(net, invman_convnet_layers(net) - 1, &head), "network");
  first = k->part == INVMAN_NTK_ALL ? 0 : head.first + head.weights; /* the classifier comes last, its bias after all */
  last = k->part == INVMAN_NTK_HIDDEN ? N - 1 : N;
  check(invman_convnet_gradient(net, fresh->x, fresh->n, a, weights), "prediction");
  for (i = 0; i < test->n && !interrupted; i += BLOCK) {
    size_t count = test->n - i < BLOCK ? test->n - i : BLOCK, mu;
    progress("", (double)i / (double)test->n, s);
    check(invman_convnet_gradients(net, test->x + i * test->d, count, J), "prediction");
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
  begin(s, k->name);
  check(invman_convnet_ntk_gram(net, k->part, q->fresh.x, n, NULL, 0, K), k->name);
  if (!interrupted) check(invman_lazy_train(&s->ctx, K, q->fresh.y, n, NULL, a, &info), k->name);
  if (!interrupted && k->key) measure_components(s, k, K, &q->fresh, seed);
  if (!interrupted) predict(s, k, net, &q->fresh, a, &q->test, F);
  if (!interrupted) r->value[k->column] = share_of_errors(F, &q->test);
  free(K);
  free(a);
  free(F);
}

/* ---- what comes out */

static void write_components(const study *s, const kernel *kernels, const invman_data *fresh, size_t p, size_t seed) {
  char *path = path_of(s, "spectrum", p, seed, "csv"), *name;
  FILE *file = begin_file(path, &name);
  size_t k, c, i;
  fprintf(file, "kernel,k,lambda,mutual_information,null_mean,omega2\n");
  for (k = 0; k < KERNELS; k++)
    for (c = 0; c < COMPONENTS && kernels[k].key; c++)
      fprintf(file, "%s,%lu,%.17g,%.6g,%.6g,%.6g\n", kernels[k].key, (unsigned long)(c + 1), kernels[k].lambda[c],
              kernels[k].bits[c], kernels[k].null[c], kernels[k].omega2[c]);
  end_file(file, name, path);
  free(path);
  path = path_of(s, "phi", p, seed, "csv");
  file = begin_file(path, &name);
  fprintf(file, "kernel,phi_1,phi_2,label\n");
  for (k = 0; k < KERNELS; k++)
    for (i = 0; i < fresh->n && kernels[k].key; i++)
      fprintf(file, "%s,%.17g,%.17g,%g\n", kernels[k].key, kernels[k].phi[i], kernels[k].phi[fresh->n + i],
              fresh->y[i]);
  end_file(file, name, path);
  free(path);
}

static void show_head(void) {
  printf("%6s %6s %6s %8s %7s | %7s %7s | %7s %7s | %7s %7s | %6s %6s | %7s %7s\n", "", "", "", "", "", "all", "",
         "last", "", "hidden", "", "I", "", "omega^2", "");
  printf("%6s %6s %6s %8s %7s | %7s %7s | %7s %7s | %7s %7s | %6s %6s | %7s %7s\n", "p", "seed", "steps", "seconds",
         "net", "start", "end", "start", "end", "start", "end", "start", "end", "start", "end");
}

static void show_values(const row *r) {
  const double *v = r->value;
  printf(" %6.0f %8.0f %7.4f | %7.4f %7.4f | %7.4f %7.4f | %7.4f %7.4f | %6.3f %6.3f | %7.4f %7.4f\n", v[STEPS],
         v[SECONDS], v[NET], v[ALL_START], v[ALL_END], v[LAST_START], v[LAST_END], v[HIDDEN_START], v[HIDDEN_END],
         v[I_START], v[I_END], v[OMEGA_START], v[OMEGA_END]);
  fflush(stdout);
}

static void show_row(study *s, const row *r) {
  int end = (int)r->value[END];
  if (s->terminal) fprintf(stderr, "\r%60s\r", "");
  printf("%6.0f %6.0f", r->value[P], r->value[SEED]);
  show_values(r);
  if (end == INVMAN_END_SATISFIED) return;
  printf("              the network: %s; least margin %.4f\n", invman_end_string(end), r->value[MARGIN]);
  s->bad |= end == INVMAN_END_REST || end == INVMAN_END_ROUNDING;
}

/* Means over the seeds, and how they scatter. */
static void show_means(const study *s) {
  const arguments *a = s->a;
  size_t i, k, c;
  printf("means over the seeds, and standard deviations\n");
  for (i = 0; i < a->p_count; i++) {
    row mean, deviation;
    double n = 0;
    memset(&mean, 0, sizeof mean);
    memset(&deviation, 0, sizeof deviation);
    for (k = 0; k < s->count; k++) n += s->rows[k].value[P] == (double)a->p[i];
    for (k = 0; k < s->count; k++)
      for (c = 0; c < COLUMNS && s->rows[k].value[P] == (double)a->p[i]; c++) mean.value[c] += s->rows[k].value[c] / n;
    for (k = 0; k < s->count; k++)
      for (c = 0; c < COLUMNS && s->rows[k].value[P] == (double)a->p[i]; c++)
        deviation.value[c] += (s->rows[k].value[c] - mean.value[c]) * (s->rows[k].value[c] - mean.value[c]) / (n - 1);
    for (c = 0; c < COLUMNS; c++) deviation.value[c] = sqrt(deviation.value[c]);
    if (n < 2) continue;
    printf("%6lu %6.0f", (unsigned long)a->p[i], n);
    show_values(&mean);
    printf("%6s %6s", "", "+-");
    show_values(&deviation);
  }
}

/* ---- one p and seed */

static void write_results(study *s, const kernel *kernels, const problem *q, const invman_convnet *net, const row *r,
                          size_t p, size_t seed) {
  add_row(s, r);
  if (s->a->out) {
    char *path = path_of(s, "net", p, seed, "conv");
    check(invman_convnet_save(net, path), path);
    free(path);
    write_components(s, kernels, &q->fresh, p, seed);
    write_rows(s); /* last: what has a row has everything */
    remove(s->flow_path);
  }
  show_row(s, r);
}

static void run(study *s, size_t p, size_t seed) {
  invman_rng rng;
  problem q;
  kernel kernels[KERNELS];
  invman_convnet *start = make_net(s, seed), *end;
  row r;
  size_t k;
  load(s);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&s->all, &rng);
  q = divide(s, p);
  check_labels(&q.train, "--p");
  check_labels(&q.fresh, "--kernel-size");
  check(invman_convnet_copy(start, &end), "network");
  memset(&r, 0, sizeof r);
  r.value[P] = (double)p;
  r.value[SEED] = (double)seed;
  s->flow_path = s->a->out ? path_of(s, "flow", p, seed, "flow") : NULL;

  begin(s, "training the network");
  train(s, &q, end, &r);
  memcpy(kernels, kernel_list, sizeof kernels);
  for (k = 0; k < KERNELS && !interrupted; k++) measure(s, &kernels[k], kernels[k].end ? end : start, &q, seed, &r);
  r.value[I_START] = kernels[0].bits[0];
  r.value[I_END] = kernels[1].bits[0];
  r.value[I_NULL] = kernels[1].null[0];
  r.value[OMEGA_START] = kernels[0].omega2[0];
  r.value[OMEGA_END] = kernels[1].omega2[0];
  if (!interrupted) write_results(s, kernels, &q, end, &r, p, seed);

  for (k = 0; k < KERNELS; k++) free(kernels[k].phi);
  invman_convnet_free(start);
  invman_convnet_free(end);
  invman_data_free(&s->ctx, &s->all);
  free(s->flow_path);
  s->flow_path = NULL;
}

int main(int argc, char **argv) {
  arguments a;
  study s;
  size_t i, seed;
  parse(argc, argv, &a);
  memset(&s, 0, sizeof s);
  s.a = &a;
  s.terminal = isatty(fileno(stderr));
  s.ctx.error = &error;
  s.ctx.progress = progress;
  s.ctx.user = &s;
  load(&s);
  for (i = 0; i < a.p_count; i++) divide(&s, a.p[i]);
  read_rows(&s);
  show_net(&s);
  invman_data_free(&s.ctx, &s.all);

  signal(SIGINT, interrupt);
  show_head();
  for (i = 0; i < s.count; i++) show_row(&s, &s.rows[i]);
  for (i = 0; i < a.p_count; i++)
    for (seed = a.first_seed; seed <= a.last_seed && !interrupted; seed++)
      if (!find_row(&s, a.p[i], seed)) run(&s, a.p[i], seed);
  if (!interrupted && a.last_seed > a.first_seed) show_means(&s);
  if (interrupted) printf("\nstopped%s\n", a.out ? ": the same command goes on" : "");
  if (fflush(stdout) != 0 || ferror(stdout)) fail("the output cannot be written");
  free(s.rows);
  return s.bad;
}
