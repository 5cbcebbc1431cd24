/* How fast the library is on this machine: bench --help. Its tables are what `make bench` prints; bench/peers.py asks
   it for single jobs (--peer), bench/count.sh for jobs whose instructions are counted (--count). */
#define _POSIX_C_SOURCE 200809L
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <ctype.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#if defined(__GNUC__) && !defined(INVMAN_NO_SIMD)
#define VECTORS 1
#else
#define VECTORS 0
#endif
#ifndef BENCH_FLAGS
#define BENCH_FLAGS ""
#endif

static const char help[] =
    "bench - how fast invman.h is on this machine\n"
    "\n"
    "  bench [options]\n"
    "\n"
    "  --only GROUPS   of kernels,convnet,runs,lazy,eigen,growth (all), or peak\n"
    "  --quick         smaller sizes, fewer repetitions\n"
    "  --long          lazy flows by columns of the kernel, up to 32768 points, too\n"
    "  --bits N        vectors of at most 512, 256 or 128 bits\n"
    "  --threads N     threads (all cores)\n"
    "  --json FILE     the results, for programs\n"
    "\n"
    "  bench --peer JOB --p N --d N --h N [--dump FILE]\n"
    "                  does the job for every line of its input, and answers with the seconds that it took and the\n"
    "                  first numbers of its result; what the job is given is written to FILE as doubles\n"
    "  bench --count JOB --p N --d N --h N\n"
    "                  does the job once, within the function `perform`, and says how wide its vectors were\n"
    "  bench --compiler, --slug\n"
    "                  the compiler; a name for this machine\n"
    "\n"
    "Medians of 7 where a job takes less than a second, else of 3. One multiply-add is one operation: 1 G/s is 2\n"
    "GFLOP/s. Shares are of what all threads reach in multiply-adds without memory, with vectors of the same width.\n";

static invman_error error;
static invman_context context;
static int quick;

static void fail(const char *what, const char *about) {
  fprintf(stderr, "bench: %s: %s\n", about, what);
  exit(2);
}

static void check(invman_status status, const char *about) {
  if (status < 0) fail(error.what ? error.what : invman_status_string(status), about);
}

static double clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double *take(size_t count) {
  double *x = (double *)malloc((count ? count : 1) * sizeof(double));
  if (!x) fail("out of memory", "a job");
  return x;
}

static double *normals(size_t count) {
  double *x = take(count);
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, 1, 99);
  for (i = 0; i < count; i++) x[i] = invman_rng_normal(&rng);
  return x;
}

/* ---- the machine */

static int threads_in_use(void) {
#ifdef _OPENMP
  return omp_get_max_threads();
#else
  return 1;
#endif
}

static const char *compiler(void) {
  static char name[64];
#if defined(__clang__)
  snprintf(name, sizeof name, "clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  snprintf(name, sizeof name, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  snprintf(name, sizeof name, "unknown");
#endif
  return name;
}

static const char *cpu_model(void) {
  static char model[128] = "unknown", line[512];
  FILE *file = fopen("/proc/cpuinfo", "r");
  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "model name", 10) == 0 && sscanf(line, "%*[^:]: %127[^\n]", model) == 1) break;
  if (file) fclose(file);
  return model;
}

/* The model in small letters, without (R) and (TM), and the number of cores. */
static const char *slug(void) {
  static char name[160];
  const char *at = cpu_model();
  size_t n = 0;
  while (*at && n < 100) {
    if (*at == '(') at += strcspn(at, ")");
    else if (isalnum((unsigned char)*at)) name[n++] = (char)tolower((unsigned char)*at);
    else if (n > 0 && name[n - 1] != '-') name[n++] = '-';
    if (*at) at++;
  }
  snprintf(name + n, sizeof name - n, "%s%ld-cores", n > 0 && name[n - 1] == '-' ? "" : "-",
           sysconf(_SC_NPROCESSORS_ONLN));
  return name;
}

/* Multiply-adds alone, as many independent ones as hide their latency and stay in registers. */
enum { PEAK_STEPS = 300000, PEAK_SUMS = 12 };
#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline, unused))
#else
#define INLINE static inline
#endif
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 12")
#else
#define UNROLL
#endif

INLINE int peak_sums(int L) { return L == 8 ? PEAK_SUMS : L == 4 ? 6 : L == 2 ? 3 : 1; }

INLINE void peak_body(size_t index, void *arg, const int L) { /* sum += sum a */
  const int sums = peak_sums(L);
  double *out = (double *)arg + index * INVMAN_I_WIDTH;
  invman_i_lanes sum[PEAK_SUMS], a = invman_i_load(out, L);
  int i, k;
  for (k = 0; k < sums; k++) sum[k] = a;
  for (i = 0; i < PEAK_STEPS; i++) {
    UNROLL
    for (k = 0; k < sums; k++) invman_i_add_product(&sum[k], &sum[k], &a, L);
  }
  for (k = 0; k < sums; k++) invman_i_add_scaled(&a, 1, &sum[k], L);
  invman_i_store(out, &a, L);
}
static void peak_base(size_t index, void *arg) { peak_body(index, arg, VECTORS ? 2 : 1); }
#if VECTORS && (defined(__x86_64__) || defined(__i386__))
__attribute__((target("avx2,fma"))) static void peak_256(size_t index, void *arg) { peak_body(index, arg, 4); }
__attribute__((target("avx512f,avx512dq,avx512vl"))) static void peak_512(size_t index, void *arg) {
  peak_body(index, arg, 8);
}
static invman_i_task peak(int bits) { return bits >= 512 ? peak_512 : bits >= 256 ? peak_256 : peak_base; }
#else
static invman_i_task peak(int bits) { return bits > 0 ? peak_base : NULL; }
#endif

typedef struct peak_run {
  double until, values[INVMAN_I_WIDTH], best;
} peak_run;

static void peak_task(size_t index, void *arg) { /* a thread's best time of many, by its own clock */
  peak_run *run = (peak_run *)arg + index;
  invman_i_task steps = peak(invman_i_vector_bits(&context));
  double began, now = clock_now();
  int k;
  while (now < run->until) {
    for (k = 0; k < INVMAN_I_WIDTH; k++) run->values[k] = 1e-9;
    began = clock_now();
    steps(0, run->values);
    now = clock_now();
    run->best = fmin(run->best, now - began);
  }
}

static double peak_rate(int threads) { /* multiply-adds per second, of threads that run at the same time */
  double work = (double)PEAK_STEPS * peak_sums(invman_i_vector_bits(&context) / 64) * INVMAN_I_WIDTH, rate = 0;
  size_t k, n = (size_t)threads;
  peak_run *run = (peak_run *)malloc(n * sizeof *run);
  if (!run) fail("out of memory", "the peak");
  for (k = 0; k < n; k++) {
    run[k].until = clock_now() + (quick ? 0.3 : 2);
    run[k].best = HUGE_VAL;
  }
  invman_i_parallel(&context, n, peak_task, run, 1e9);
  for (k = 0; k < n; k++) rate += work / run[k].best;
  free(run);
  return rate;
}

/* ---- jobs */

enum {
  EVAL,
  GRADIENT,
  BOTH,
  GRAM,
  PRODUCT,
  INFINITE,
  ROWS,
  CONV_EVAL,
  CONV_GRADIENT,
  CONV_BOTH,
  CONV_GRADIENTS,
  CONV_GRAM
};
enum { TRAIN = CONV_GRAM + 1, SINGLE, LAZY, COLUMNS, EIGH, TOP, KINDS };
static const char *const kind_names[KINDS] = {
    "eval",  "gradient",     "eval+gradient", "gram",      "product",        "infinite",
    "rows",  "conv-eval",    "conv-gradient", "conv-both", "conv-gradients", "conv-gram",
    "train", "train-single", "lazy",          "columns",   "eigh",           "top"};

enum { TOP_COUNT = 10, ROW_COUNT = 64, SIDE = 28, SHOWN = 10 };

typedef struct job {
  int kind;
  size_t p, d, h;     /* points, images or rows; inputs; neurons, or the width factor of a convolutional network */
  invman_data points; /* or images, whose y are random */
  invman_net net, other;
  invman_convnet *conv;
  double *r, *K, *V, *out; /* what gradients weigh the points with; a matrix, a second one; the result */
  size_t K_size, out_size;
  double work;          /* multiply-adds, or entries of a kernel; 0: only its time is of interest */
  invman_status status; /* of the last run */
} job;

static void sample_points(job *j) {
  invman_data_model stripe;
  invman_rng rng;
  memset(&stripe, 0, sizeof stripe);
  stripe.d = j->d;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  check(invman_data_sample(&context, &stripe, j->p, &rng, &j->points), "points");
}

static void sample_net(job *j) {
  invman_rng rng;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(&context, j->h, j->d, &rng, &j->net), "network");
  check(invman_net_copy(&context, &j->net, &j->other), "network");
}

static void make_conv(job *j) {
  invman_convnet_options options;
  invman_rng rng;
  memset(&options, 0, sizeof options);
  options.channels = 1;
  options.height = options.width = SIDE;
  options.width_factor = (double)j->h;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  check(invman_convnet_create(&context, &options, &rng, &j->conv), "convolutional network");
}

static double triangle(size_t n) { return 0.5 * (double)n * ((double)n + 1); }

static void column(size_t i, double *out, void *arg) {
  const job *j = (const job *)arg;
  check(invman_ntk_gram_infinite(&context, j->d, INVMAN_NTK_ALL, j->points.x, j->p, j->points.x + i * j->d, 1, out),
        "kernel");
}

static job make_job(int kind, size_t p, size_t d, size_t h) {
  double pairs = (double)p * (double)h, image;
  size_t i, k, N;
  job j;
  memset(&j, 0, sizeof j);
  j.kind = kind;
  j.p = p;
  j.d = kind >= CONV_EVAL && kind <= CONV_GRAM ? SIDE * SIDE : d;
  j.h = h;
  if (kind != EIGH) sample_points(&j);
  if (kind <= PRODUCT || kind == TRAIN || kind == SINGLE) sample_net(&j);
  if (kind >= CONV_EVAL && kind <= CONV_GRAM) make_conv(&j);
  N = j.conv ? invman_convnet_size(j.conv) : 0;
  image = j.conv ? (double)p * j.conv->work : 0;

  if (kind <= PRODUCT || j.conv) {
    j.r = take(p);
    for (i = 0; i < p; i++) j.r[i] = j.points.y[i] / (double)p;
  }
  j.out_size = p;
  switch (kind) {
  case EVAL:
    j.work = pairs * (double)(d + 2);
    break;
  case GRADIENT:
    j.work = pairs * 2 * (double)(d + 1);
    break;
  case BOTH:
    j.work = pairs * (double)(3 * (d + 1) + 1);
    break;
  case GRAM:
    j.work = triangle(p) * 2 * (double)h, j.out_size = p * p;
    break;
  case PRODUCT:
    j.work = (double)p * pairs, j.out_size = p * p;
    break;
  case INFINITE:
    j.work = triangle(p), j.out_size = p * p;
    break;
  case ROWS:
    j.work = ROW_COUNT * (double)p;
    break;
  case CONV_EVAL:
    j.work = image;
    break;
  case CONV_GRADIENT:
    j.work = 3 * image, j.out_size = N;
    break;
  case CONV_BOTH:
    j.work = 4 * image, j.out_size = N;
    break;
  case CONV_GRADIENTS:
    j.work = 3 * image, j.out_size = p * N;
    break;
  case CONV_GRAM:
    j.work = 3 * image + triangle(p) * (double)N, j.out_size = p * p;
    break;
  default:
    break;
  }
  if (kind == LAZY || kind == TOP) {
    j.K = take(j.K_size = p * p);
    check(invman_ntk_gram_infinite(&context, d, INVMAN_NTK_ALL, j.points.x, p, NULL, 0, j.K), "kernel");
  }
  if (kind == EIGH) {
    j.K = normals(j.K_size = p * p);
    for (i = 0; i < p; i++)
      for (k = 0; k < i; k++) j.K[i * p + k] = j.K[k * p + i];
  }
  if (kind == EIGH) j.V = take(p * p);
  if (kind == TOP) j.V = take(TOP_COUNT * p);
  j.out = take(j.out_size);
  memset(j.out, 0, j.out_size * sizeof(double)); /* so that its memory is there */
  return j;
}

static void free_job(job *j) {
  invman_data_free(&context, &j->points);
  invman_net_free(&context, &j->net);
  invman_net_free(&context, &j->other);
  invman_convnet_free(j->conv);
  free(j->r), free(j->K), free(j->V), free(j->out);
}

static invman_status evaluate(const job *j) { return invman_net_eval(&context, &j->net, j->points.x, j->p, j->out); }

static invman_status gradient(job *j) {
  return invman_net_gradient(&context, &j->net, j->points.x, j->p, j->r, &j->other);
}

static invman_status rows(job *j) {
  size_t i;
  for (i = 0; i < ROW_COUNT; i++) column(i % j->p, j->out, j);
  return INVMAN_OK;
}

/* What is timed, and what instructions are counted of: not inlined, and known by its name. */
#ifdef __GNUC__
__attribute__((noinline))
#endif
invman_status
perform(job *j);
invman_status perform(job *j) {
  const double *x = j->points.x, *y = j->points.y;
  invman_flow_options options;
  invman_status status;
  switch (j->kind) {
  case EVAL:
    return evaluate(j);
  case GRADIENT:
    return gradient(j);
  case BOTH:
    return (status = evaluate(j)) < 0 ? status : gradient(j);
  case GRAM:
    return invman_ntk_gram(&context, &j->net, INVMAN_NTK_ALL, x, j->p, NULL, 0, j->out);
  case PRODUCT:
    return invman_ntk_gram(&context, &j->net, INVMAN_NTK_LAST_LAYER, x, j->p, x, j->p, j->out);
  case INFINITE:
    return invman_ntk_gram_infinite(&context, j->d, INVMAN_NTK_ALL, x, j->p, NULL, 0, j->out);
  case ROWS:
    return rows(j);
  case CONV_EVAL:
    return invman_convnet_eval(j->conv, x, j->p, j->out);
  case CONV_GRADIENT:
    return invman_convnet_gradient(j->conv, x, j->p, j->r, j->out);
  case CONV_BOTH:
    status = invman_convnet_eval(j->conv, x, j->p, j->out);
    return status < 0 ? status : invman_convnet_gradient(j->conv, x, j->p, j->r, j->out);
  case CONV_GRADIENTS:
    return invman_convnet_jacobian(j->conv, x, j->p, j->out);
  case CONV_GRAM:
    return invman_convnet_ntk_gram(j->conv, INVMAN_NTK_ALL, x, j->p, NULL, 0, j->out);
  case TRAIN:
  case SINGLE:
    memset(&options, 0, sizeof options);
    options.single = j->kind == SINGLE;
    return invman_train(&context, &j->other, &j->points, &options, NULL);
  case LAZY:
    return invman_lazy_train(&context, j->K, y, j->p, NULL, j->out, NULL);
  case COLUMNS:
    return invman_lazy_train_columns(&context, column, j, y, j->p, NULL, j->out, NULL);
  case EIGH:
    return invman_eigh(&context, j->p, j->V, j->out);
  default:
    return invman_kernel_pca(&context, j->K, NULL, j->p, TOP_COUNT, j->out, j->V, NULL);
  }
}

static double run_job(job *j) { /* seconds */
  double began;
  if (j->kind == EIGH) memcpy(j->V, j->K, j->K_size * sizeof(double));
  if (j->kind == TRAIN || j->kind == SINGLE) invman_i_copy_weights(&j->net, &j->other);
  began = clock_now();
  j->status = perform(j);
  began = clock_now() - began;
  check(j->status, kind_names[j->kind]);
  return began;
}

/* ---- results */

typedef struct result {
  char name[64];
  const char *group;
  size_t p, d, h, repeats;
  double seconds, least, work;
  invman_status status;
} result;
typedef struct growth {
  const char *name, *in;
  double exponent, deviation;
} growth;

enum { RESULTS_MAX = 200 };
static result results[RESULTS_MAX];
static growth growths[RESULTS_MAX];
static size_t result_count, growth_count;
static double peak_one, peak_all;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static result measure(int kind, size_t p, size_t d, size_t h) {
  double seconds[7];
  result r;
  job j = make_job(kind, p, d, h);
  size_t k;
  memset(&r, 0, sizeof r);
  snprintf(r.name, sizeof r.name, "%s", kind_names[kind]);
  r.p = p;
  r.d = d;
  r.h = h;
  r.work = j.work;
  seconds[0] = run_job(&j);
  r.repeats = seconds[0] < 1 ? (quick ? 3 : 7) : quick ? 1 : 3;
  for (k = 1; k < r.repeats; k++) seconds[k] = run_job(&j);
  qsort(seconds, r.repeats, sizeof(double), ascending);
  r.least = seconds[0];
  r.seconds = seconds[r.repeats / 2];
  r.status = j.status;
  free_job(&j);
  return r;
}

static size_t fewer(size_t n) { return quick && n >= 16 ? n / 4 : n; }

static void report(const char *group, int kind, size_t p, size_t d, size_t h) {
  int conv = kind >= CONV_EVAL && kind <= CONV_GRAM;
  result r = measure(kind, fewer(p), d, fewer(h));
  r.group = group;
  printf("  %-15s p %5lu", r.name, (unsigned long)r.p);
  if (d) printf("  d %2lu", (unsigned long)r.d);
  else printf("      ");
  if (h) printf("  h %5lu", (unsigned long)r.h);
  else printf("         ");
  printf("  %10.4g s", r.seconds);
  if (r.work > 0) printf("  %6.2f G/s", 1e-9 * r.work / r.seconds);
  if (r.work > 0 && kind != INFINITE && kind != ROWS) printf("  %3.0f %%", 100 * r.work / r.seconds / peak_all);
  if (r.work > 0 && (kind == INFINITE || kind == ROWS)) printf("  (entries)");
  if (conv) printf("  %.4g ms an image", 1e3 * r.seconds / (double)r.p);
  if (r.status != INVMAN_OK) printf("  %s", invman_status_string(r.status));
  printf("\n");
  fflush(stdout);
  if (result_count < RESULTS_MAX) results[result_count++] = r;
}

static void grow(int kind, size_t p, size_t d, size_t h, char in) { /* four sizes, the last is given */
  static const char *const letters[] = {"p", "d", "h"};
  double size[4], seconds[4];
  growth g;
  int k;
  memset(&g, 0, sizeof g);
  for (k = 0; k < 4; k++) {
    size_t part = (size_t)8 >> k;
    result r = measure(kind, in == 'p' ? p / part : p, in == 'd' ? d / part : d, in == 'h' ? h / part : h);
    size[k] = (double)(in == 'p' ? r.p : in == 'd' ? r.d : r.h);
    seconds[k] = r.seconds;
  }
  g.name = kind_names[kind];
  g.in = letters[in == 'p' ? 0 : in == 'd' ? 1 : 2];
  check(invman_fit_power_law(NULL, size, seconds, 4, &g.exponent, &g.deviation), "growth");
  printf("  %-15s %s^%.2f +- %.2f   %s = %.0f to %.0f", g.name, g.in, g.exponent, g.deviation, g.in, size[0], size[3]);
  if (in != 'p') printf(", p = %lu", (unsigned long)p);
  if (in != 'd' && d) printf(", d = %lu", (unsigned long)d);
  if (in != 'h' && h) printf(", h = %lu", (unsigned long)h);
  printf("\n");
  fflush(stdout);
  if (growth_count < RESULTS_MAX) growths[growth_count++] = g;
}

static void json_string(FILE *file, const char *text) {
  fputc('"', file);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', file);
    if ((unsigned char)*text >= ' ') fputc(*text, file);
  }
  fputc('"', file);
}

static void write_json(const char *path) {
  FILE *file = fopen(path, "w");
  size_t k;
  if (!file) fail("cannot be written", path);
  fprintf(file, "{\n  \"version\": \"%d.%d.%d\",\n  \"machine\": \"%s\",\n  \"cpu\": ", INVMAN_VERSION_MAJOR,
          INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, slug());
  json_string(file, cpu_model());
  fprintf(file, ",\n  \"cores\": %ld,\n  \"threads\": %d,\n  \"vector_bits\": %d,\n  \"compiler\": ",
          sysconf(_SC_NPROCESSORS_ONLN), threads_in_use(), invman_i_vector_bits(&context));
  json_string(file, compiler());
  fprintf(file, ",\n  \"flags\": ");
  json_string(file, BENCH_FLAGS);
  fprintf(file, ",\n  \"quick\": %s,\n  \"peak_one_core\": %.4g,\n  \"peak_all_threads\": %.4g,\n  \"results\": [",
          quick ? "true" : "false", peak_one, peak_all);
  for (k = 0; k < result_count; k++) {
    const result *r = &results[k];
    int entries = strcmp(r->name, "infinite") == 0 || strcmp(r->name, "rows") == 0;
    fprintf(file, "%s\n    {\"group\": \"%s\", \"job\": \"%s\", \"p\": %lu, ", k ? "," : "", r->group, r->name,
            (unsigned long)r->p);
    if (r->d) fprintf(file, "\"d\": %lu, ", (unsigned long)r->d);
    if (r->h) fprintf(file, "\"h\": %lu, ", (unsigned long)r->h);
    fprintf(file, "\"runs\": %lu, \"seconds\": %.4g, \"least\": %.4g", (unsigned long)r->repeats, r->seconds, r->least);
    if (r->work > 0) fprintf(file, ", \"%s_per_second\": %.4g", entries ? "entries" : "madds", r->work / r->seconds);
    if (r->work > 0 && !entries) fprintf(file, ", \"share_of_peak\": %.3f", r->work / r->seconds / peak_all);
    fprintf(file, ", \"status\": %d}", r->status);
  }
  fprintf(file, "\n  ],\n  \"growth\": [");
  for (k = 0; k < growth_count; k++)
    fprintf(file, "%s\n    {\"job\": \"%s\", \"in\": \"%s\", \"exponent\": %.3f, \"stderr\": %.3f}", k ? "," : "",
            growths[k].name, growths[k].in, growths[k].exponent, growths[k].deviation);
  fprintf(file, "\n  ]\n}\n");
  if (fclose(file) != 0) fail("cannot be written", path);
}

/* ---- the tables */

static void kernels(void) {
  report("kernels", EVAL, 4640, 10, 10000);
  report("kernels", GRADIENT, 4640, 10, 10000);
  report("kernels", BOTH, 4640, 10, 10000);
  report("kernels", GRAM, 4640, 10, 10000);
  report("kernels", PRODUCT, 2048, 10, 10000);
  report("kernels", INFINITE, 4640, 10, 0);
  report("kernels", ROWS, 32768, 10, 0);
}

static void convnet(void) {
  report("convnet", CONV_EVAL, 512, 0, 10);
  report("convnet", CONV_GRADIENT, 512, 0, 10);
  report("convnet", CONV_BOTH, 512, 0, 10);
  report("convnet", CONV_GRADIENTS, 512, 0, 10);
  report("convnet", CONV_GRAM, 2000, 0, 10);
}

static void runs(void) {
  int kind;
  for (kind = TRAIN; kind <= SINGLE; kind++) {
    report("runs", kind, 411, 5, 10000);
    report("runs", kind, 411, 10, 10000);
    report("runs", kind, 4640, 5, 10000);
    report("runs", kind, 4640, 10, 10000);
  }
}

static void lazy(int by_columns) {
  size_t p;
  for (p = 1024; p <= 4096; p *= 2) report("lazy", LAZY, p, 5, 0);
  for (p = 8192; by_columns && p <= 32768; p *= 2) report("lazy", COLUMNS, p, 5, 0);
}

static void eigen(void) {
  size_t n;
  for (n = 512; n <= 4096; n *= 2) report("eigen", EIGH, n, 0, 0);
  report("eigen", TOP, 4096, 5, 0);
}

static void all_growth(void) {
  size_t s = quick ? 4 : 1;
  grow(BOTH, 4640 / s, 10, 10000 / s, 'p');
  grow(BOTH, 4640 / s, 10, 10000 / s, 'h');
  grow(BOTH, 4640 / s, 80, 10000 / s, 'd');
  grow(GRAM, 4096 / s, 10, 4000 / s, 'p');
  grow(GRAM, 2048 / s, 10, 8000 / s, 'h');
  grow(CONV_GRADIENTS, 512 / s, 0, 10, 'p');
  grow(TRAIN, 2048 / s, 5, 2000 / s, 'p');
  grow(TRAIN, 512 / s, 5, 8000 / s, 'h');
  grow(TRAIN, 512 / s, 24, 2000 / s, 'd');
  grow(LAZY, 4096 / s, 5, 0, 'p');
  grow(EIGH, 2048 / s, 0, 0, 'p');
}

/* ---- one job */

static void dump(const job *j, const char *path) { /* points, labels, weights, matrix: what of them there is */
  FILE *file = fopen(path, "wb");
  int good = file != NULL;
#define WRITE(array, count) good = good && fwrite(array, sizeof(double), count, file) == (count)
  if (j->points.x) {
    WRITE(j->points.x, j->p * j->d);
    WRITE(j->points.y, j->p);
  }
  if (j->net.w) {
    WRITE(j->net.w, j->h * j->d);
    WRITE(j->net.b, j->h);
    WRITE(j->net.beta, j->h);
  }
  if (j->conv) WRITE(invman_convnet_weights(j->conv), invman_convnet_size(j->conv));
  if (j->K) WRITE(j->K, j->K_size);
#undef WRITE
  if (!good || fclose(file) != 0) fail("cannot be written", path);
}

static void answer_all(job *j) {
  char line[64];
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    double seconds = run_job(j);
    const double *out = j->kind == GRADIENT || j->kind == BOTH ? j->other.w : j->out;
    size_t k, count = j->kind == GRADIENT || j->kind == BOTH ? j->h * j->d : j->out_size;
    printf("%.9f", seconds);
    for (k = 0; k < count && k < SHOWN; k++) printf(" %.17g", out[k]);
    printf("\n");
    fflush(stdout);
  }
}

static int kind_of(const char *name) {
  int k;
  for (k = 0; k < KINDS; k++)
    if (strcmp(name, kind_names[k]) == 0) return k;
  fail("no such job", name);
  return 0;
}

static size_t number(const char *flag, const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (!isdigit((unsigned char)*text) || *end) fail("a whole number is wanted", flag);
  return value;
}

static int groups_done;

static int wanted(const char *only, const char *group) {
  size_t length = strlen(group);
  const char *at;
  for (at = only; at && (at = strstr(at, group)) != NULL; at += length)
    if ((at == only || at[-1] == ',') && (at[length] == ',' || !at[length])) {
      printf("%s\n", group);
      return ++groups_done;
    }
  return 0;
}

int main(int argc, char **argv) {
  const char *only = "kernels,convnet,runs,lazy,eigen,growth", *json = NULL, *peer = NULL, *count = NULL, *file = NULL;
  size_t p = 1024, d = 10, h = 1000;
  int by_columns = 0, k;
  context.error = &error;
  for (k = 1; k < argc; k++) {
    const char *flag = argv[k], *value = k + 1 < argc ? argv[k + 1] : "";
    if (strcmp(flag, "--help") == 0) return fputs(help, stdout) < 0;
    if (strcmp(flag, "--compiler") == 0) return puts(compiler()) < 0;
    if (strcmp(flag, "--slug") == 0) return puts(slug()) < 0;
    if (strcmp(flag, "--quick") == 0) quick = 1;
    else if (strcmp(flag, "--long") == 0) by_columns = 1;
    else {
      if (strcmp(flag, "--only") == 0) only = value;
      else if (strcmp(flag, "--json") == 0) json = value;
      else if (strcmp(flag, "--peer") == 0) peer = value;
      else if (strcmp(flag, "--count") == 0) count = value;
      else if (strcmp(flag, "--dump") == 0) file = value;
      else if (strcmp(flag, "--bits") == 0) context.vector_bits = (int)number(flag, value);
      else if (strcmp(flag, "--p") == 0) p = number(flag, value);
      else if (strcmp(flag, "--d") == 0) d = number(flag, value);
      else if (strcmp(flag, "--h") == 0) h = number(flag, value);
      else if (strcmp(flag, "--threads") == 0) {
        if (number(flag, value) == 0) fail("at least 1", flag);
#ifdef _OPENMP
        omp_set_num_threads((int)number(flag, value));
#endif
      } else fail("no such option; --help lists them", flag);
      k++;
    }
  }

  if (peer || count) {
    job j = make_job(kind_of(peer ? peer : count), p, d, h);
    if (file) dump(&j, file);
    if (peer) answer_all(&j);
    else run_job(&j), printf("%d\n", invman_i_vector_bits(&context));
    free_job(&j);
    return 0;
  }

  peak_one = peak_rate(1);
  peak_all = peak_rate(threads_in_use());
  printf("invman.h %d.%d.%d, %s, %d threads, %d-bit vectors, %s %s\n", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
         INVMAN_VERSION_PATCH, cpu_model(), threads_in_use(), invman_i_vector_bits(&context), compiler(), BENCH_FLAGS);
  printf("peak, G multiply-adds/s: %.1f one core, %.1f all threads\n", 1e-9 * peak_one, 1e-9 * peak_all);
  if (wanted(only, "kernels")) kernels();
  if (wanted(only, "convnet")) convnet();
  if (wanted(only, "runs")) runs();
  if (wanted(only, "lazy")) lazy(by_columns);
  if (wanted(only, "eigen")) eigen();
  if (wanted(only, "growth")) all_growth();
  if (groups_done == 0 && strcmp(only, "peak") != 0) fail("no such group; --help lists them", only);
  if (json) write_json(json);
  return 0;
}
