/* What every test needs. A test is a function without arguments that CHECKs; RUN prints one line for it: ok, FAIL or
   skip. The library's implementation is part of this program, so that tests reach its inside. A test that takes more
   processor time than it may ends the program, and fails by its name; those after it are named as not run. A busy
   machine takes longer, but no more of that time. Nothing else may depend on a clock. */
#ifndef TEST_H
#define TEST_H
#define _POSIX_C_SOURCE 200809L
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <locale.h>
#include <stdarg.h>
#include <signal.h>
#include <time.h>
#if defined(__unix__) || defined(__APPLE__)
#include <dirent.h>
#include <sys/time.h>
#include <unistd.h>
#define TEST_POSIX 1
#ifdef SIGPROF
#define TEST_LIMITS 1
#endif
#endif

#ifndef TEST_DIR
#define TEST_DIR "tests"
#endif
/* Whether the families of thousands are whole, and the paper's runs of their full size: `make scaling`. */
#ifdef TEST_SCALING
enum { TEST_WHOLE = 1 };
#else
enum { TEST_WHOLE = 0 };
#endif
static int floats_flush, floats_directed; /* how the processor rounds: see floats.c */
static int floats_lost(double scale) { return floats_flush && scale < 1e-290; } /* so small: as the manual says */

#define GOLDEN TEST_DIR "/golden/"

static int test_failures, test_failed;
static const char *test_filter = "", *test_skipped;
static int test_whole_group;     /* the filter is the name of one */
static char test_dir[256] = "."; /* where files may be written */

static void test_fail(const char *file, int line, const char *format, ...) {
  va_list list;
  test_failures++;
  if (floats_directed) return;
  va_start(list, format);
  printf("  %s:%d: ", file, line);
  vprintf(format, list);
  printf("\n");
  va_end(list);
}

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) test_fail(__FILE__, __LINE__, "%s", #condition); \
  } while (0)

/* |value - wanted| <= tolerance; a NaN fails */
#define CLOSE(value, wanted, tolerance)                                                                                \
  do {                                                                                                                 \
    double v_ = (value), w_ = (wanted), t_ = (tolerance);                                                              \
    if (!(fabs(v_ - w_) <= t_))                                                                                        \
      test_fail(__FILE__, __LINE__, "%s = %.17g, wanted %s = %.17g within %.3g, off by %.3g", #value, v_, #wanted, w_, \
                t_, fabs(v_ - w_));                                                                                    \
  } while (0)

#define RUN(test)               test_run(#test, test, 60)
#define RUN_UNFLUSHED(test)     test_run(#test, floats_flush ? test_is_flushed : test, 60)
#define RUN_LONG(test, seconds) test_run(#test, test, seconds) /* of processor time, on all cores together */

/* Of all threads. On Windows clock() is the time on the wall, and clock_gettime() in another library. */
static double test_processor_time(void) { return (double)clock() / CLOCKS_PER_SEC; }

static double test_clock(void) {
#ifdef _WIN32
  return test_processor_time();
#else
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
#endif
}

#ifdef __GNUC__
#pragma GCC diagnostic ignored "-Wunused-function" /* a build runs only some of the tests */
#endif

static void test_skip(const char *why) { test_skipped = why; }
static void test_is_flushed(void) { test_skip("numbers below 1e-290 are zero here"); }

/* ---- limits. The handler starts this program again, which only names the tests after the one that has failed. */

static const char *test_program, *test_name, *test_after, *test_floats = "";
static int test_passed_over; /* the one that failed is behind */

#ifdef TEST_LIMITS
static void test_write(const char *text) {
  if (write(1, text, strlen(text)) < 0) _exit(1);
}

static void test_is_endless(int signal) {
  (void)signal;
  test_write("FAIL ");
  test_write(test_name);
  test_write(": more processor time than it may take\n");
  execl(test_program, test_program, test_dir, test_filter, test_floats, test_name, (char *)NULL);
  _exit(1);
}
#endif

/* Builds that are slow by themselves have more: those without optimisation, and TEST_SLOWER times as slow ones. */
static void test_limit(double seconds) {
#ifdef TEST_LIMITS
  struct itimerval timer;
  const char *slower = getenv("TEST_SLOWER");
#ifndef __OPTIMIZE__
  seconds *= 5;
#endif
  if (slower && atof(slower) > 0) seconds *= atof(slower);
  memset(&timer, 0, sizeof timer);
  timer.it_value.tv_sec = (time_t)seconds;
  timer.it_value.tv_usec = (suseconds_t)(1e6 * (seconds - floor(seconds)));
  setitimer(ITIMER_PROF, &timer, NULL);
  signal(SIGPROF, test_is_endless);
#else
  (void)seconds;
#endif
}

static void test_run(const char *name, void (*test)(void), double seconds) {
  double began = test_processor_time();
  if (!test_whole_group && !strstr(name, test_filter)) return;
  if (test_after) {
    if (test_passed_over) printf("skip %s: not run\n", name);
    test_passed_over |= !strcmp(name, test_after);
    return;
  }
  test_failures = 0;
  test_skipped = NULL;
  test_name = name;
  test_limit(seconds);
  test();
  test_limit(0);
  if (floats_directed) { /* that it returns is all that is promised */
    printf("ok %s\n", name);
  } else if (test_failures > 0) {
    printf("FAIL %s\n", name);
    test_failed++;
  } else if (test_skipped) {
    printf("skip %s: %s\n", name, test_skipped);
  } else {
    printf("ok %s (%.2f s)\n", name, test_processor_time() - began);
  }
  fflush(stdout);
}

/* `n` values of the array `name` of a golden file; ends the program where they are not there. */
static double *golden(const char *path, const char *name, size_t n) {
  FILE *file = fopen(path, "r");
  static char line[1 << 16];
  double *v = (double *)malloc((n + 1) * sizeof(double));
  size_t k = 0;
  int inside = 0;
  if (!file || !v) {
    printf("FAIL cannot read %s: run the tests from the project's root\n", path);
    exit(1);
  }
  while (fgets(line, sizeof line, file)) {
    char *at = line, *end, key[64];
    if (line[0] == '#') {
      inside = sscanf(line, "# %63s", key) == 1 && !strcmp(key, name);
      continue;
    }
    while (inside && k <= n) {
      double x = strtod(at, &end);
      if (end == at) break;
      v[k++] = x;
      at = end;
    }
  }
  fclose(file);
  if (k != n) {
    printf("FAIL %s: %s has %lu values, wanted %lu\n", path, name, (unsigned long)k, (unsigned long)n);
    exit(1);
  }
  return v;
}

static const char *in_test_dir(const char *name) {
  static char path[4][512];
  static int next;
  char *p = path[next++ % 4];
  snprintf(p, 512, "%s/%s", test_dir, name);
  return p;
}

static int file_exists(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file) fclose(file);
  return file != NULL;
}

/* How many files there are that saving under `path` could have left: their names are its own, or a part, .tmp and eight
   letters. */
static size_t left_beside(const char *path) {
  size_t count = 0;
#ifdef TEST_POSIX
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
  char directory[5000];
  struct dirent *entry;
  DIR *list;
  snprintf(directory, sizeof directory, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
  list = opendir(directory);
  CHECK(list != NULL);
  while (list && (entry = readdir(list)) != NULL) {
    const char *mark = strstr(entry->d_name, ".tmp");
    count += mark && strlen(mark) == 12 && strncmp(entry->d_name, base, (size_t)(mark - entry->d_name)) == 0;
  }
  if (list) closedir(list);
#else
  (void)path;
#endif
  return count;
}

static void write_bytes(const char *path, const void *bytes, size_t n) {
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) {
    printf("FAIL cannot write %s\n", path);
    exit(1);
  }
}

static unsigned char *read_bytes(const char *path, size_t *n) {
  FILE *file = fopen(path, "rb");
  unsigned char *bytes = (unsigned char *)malloc(1 << 20);
  if (!file || !bytes) {
    printf("FAIL cannot read %s\n", path);
    exit(1);
  }
  *n = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

/* An allocator that counts, and that fails when its budget of calls is used up. */
typedef struct test_heap {
  size_t now, peak, blocks, calls, budget; /* bytes, bytes, blocks; budget 0: none */
} test_heap;

static void *test_alloc(size_t bytes, void *user) {
  test_heap *heap = (test_heap *)user;
  heap->calls++;
  if (heap->budget > 0 && heap->calls >= heap->budget) return NULL;
  heap->now += bytes;
  heap->blocks++;
  if (heap->now > heap->peak) heap->peak = heap->now;
  return malloc(bytes);
}

static void test_release(void *block, size_t bytes, void *user) {
  test_heap *heap = (test_heap *)user;
  heap->now -= bytes;
  heap->blocks--;
  free(block);
}

static invman_context test_context(test_heap *heap) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(heap, 0, sizeof *heap);
  ctx.alloc = test_alloc;
  ctx.release = test_release;
  ctx.user = heap;
  return ctx;
}

/* A parallel_for that does the last task first. */
static void backwards(size_t tasks, void (*task)(size_t index, void *arg), void *arg, void *user) {
  *(size_t *)user += tasks;
  while (tasks-- > 0) task(tasks, arg);
}

/* A stripe or cylinder and a network, as the examples make them. */
typedef struct test_problem {
  invman_data train, test;
  invman_net net;
} test_problem;

static test_problem make_problem(int kind, size_t d, size_t p, size_t h, uint64_t seed) {
  test_problem q;
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = kind;
  model.d = d;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &model, p, &rng, &q.train) < 0) exit(1);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TEST);
  if (invman_data_sample(NULL, &model, 1000, &rng, &q.test) < 0) exit(1);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  if (invman_net_init(NULL, h, d, &rng, &q.net) < 0) exit(1);
  return q;
}

static void free_problem(test_problem *q) {
  invman_data_free(NULL, &q->train);
  invman_data_free(NULL, &q->test);
  invman_net_free(NULL, &q->net);
}

static double *normals(size_t n, uint64_t seed) {
  double *x = (double *)malloc((n ? n : 1) * sizeof(double));
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, seed, 99);
  for (i = 0; i < n; i++) x[i] = invman_rng_normal(&rng);
  return x;
}

static int same_bits(const double *a, const double *b, size_t n) { return memcmp(a, b, n * sizeof(double)) == 0; }

static int same_net(const invman_net *a, const invman_net *b) {
  return a->h == b->h && a->d == b->d && same_bits(a->w, b->w, a->h * a->d) && same_bits(a->b, b->b, a->h) &&
         same_bits(a->beta, b->beta, a->h);
}

static double largest_difference(const double *a, const double *b, size_t n) {
  double most = 0;
  size_t i;
  for (i = 0; i < n; i++)
    if (!(fabs(a[i] - b[i]) <= most)) most = fabs(a[i] - b[i]);
  return most;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static double median(double *x, size_t n) { /* sorts x */
  qsort(x, n, sizeof(double), by_value);
  return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

#endif
