/* The tests: test [DIRECTORY [NAME [FLOATS]]], DIRECTORY: where files may be written, NAME: a group, which is a file of
   tests, or else a part of the names of those that are run, FLOATS: how the processor is told to round (see floats.c).
   A fourth argument is the program's own: see test.h.
   TEST_QUICK: without the paper's runs; TEST_SCALING: the paper's laws, and whole what others run a part of; TEST_SLOW:
   the largest runs. */
#include "test.h"

#include "floats.c"
#include "rng.c"
#include "data.c"
#include "network.c"
#include "files.c"
#include "ntk.c"
#include "eigen.c"
#include "margins.c"
#include "lazy.c"
#include "kernels.c"
#include "qp.c"
#include "flow.c"
#include "bad_input.c"
#include "overflow.c"
#include "kpca.c"
#include "theory.c"
#include "rfm.c"
#include "diagnostics.c"
#include "measures.c"
#include "convnet.c"
#include "model.c"
#include "images.c"
#include "fork.c"
#include "failures.c"
#include "torture.c"
#include "paper.c"
#include "scaling.c"

/* ---- the limit itself: this program, asked for a test that never ends and one after it */

static void itself_endless(void) {
  volatile unsigned count = 0;
  for (;;) count++;
}
static void itself_after(void) {}

static void endless_tests_fail_by_name(void) {
#ifdef TEST_LIMITS
  char command[1024], out[4096];
  const char *wanted = "FAIL itself_endless: more processor time than it may take\nskip itself_after: not run\n";
  size_t size;
  FILE *pipe;
  snprintf(command, sizeof command, "'%s' '%s' itself_", test_program, test_dir);
  pipe = strstr(test_dir, "'") ? NULL : popen(command, "r");
  CHECK(pipe != NULL);
  if (!pipe) return;
  size = fread(out, 1, sizeof out - 1, pipe);
  out[size] = 0;
  CHECK(pclose(pipe) != 0);
  if (strcmp(out, wanted) != 0) test_fail(__FILE__, __LINE__, "it says: %s", out);
#else
  test_skip("no limits on this system");
#endif
}

static void itself_tests(void) {
  RUN_LONG(itself_endless, 0.05);
  RUN(itself_after);
}
#if !defined(TEST_SLOW) && !defined(TEST_SCALING)
static void endless_tests(void) { RUN(endless_tests_fail_by_name); }
#endif

#ifdef TEST_SCALING /* those of which `make test` runs a part, or a smaller size */
static void whole_tests(void) {
  RUN_LONG(eigen_top_spectra, 300);
  RUN_LONG(kernels_thousand, 300);
  RUN_LONG(flow_golden, 600);
  RUN_LONG(diagnostics_of_learned_features, 600);
  RUN_LONG(images_digits, 1200);
  paper_tests();
}
#endif

/* ---- groups: the tests of one file. The Makefile reads their names here. */

typedef struct test_group {
  const char *name;
  void (*tests)(void);
} test_group;

#define GROUP(name) \
  { #name, name##_tests }
static const test_group test_groups[] = {
#if defined(TEST_SLOW)
    GROUP(slow),
#elif defined(TEST_SCALING)
    GROUP(scaling),
    GROUP(whole),
#else
    GROUP(endless), GROUP(rng),    GROUP(data),        GROUP(network),  GROUP(files),
    GROUP(ntk),     GROUP(eigen),  GROUP(margins),     GROUP(lazy),     GROUP(kernels),
    GROUP(qp),      GROUP(flow),   GROUP(bad_input),   GROUP(overflow), GROUP(kpca),
    GROUP(theory),  GROUP(rfm),    GROUP(diagnostics), GROUP(measures), GROUP(convnet),
    GROUP(model),   GROUP(images), GROUP(fork),        GROUP(failures), GROUP(torture),
#ifndef TEST_QUICK
    GROUP(paper),
#endif
#endif
};
enum { TEST_GROUPS = sizeof test_groups / sizeof *test_groups };

int main(int argc, char **argv) {
  const test_group *only = NULL;
  size_t k;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) snprintf(test_dir, sizeof test_dir, "%s", argv[1]);
  if (argc > 2) test_filter = argv[2];
  if (argc > 3) test_floats = argv[3];
  if (argc > 4) test_after = argv[4];
  if (*test_floats && !set_floats(test_floats)) return 0;
  test_program = argv[0];
  test_limit(0);
  if (!strcmp(test_filter, "itself_")) {
    itself_tests();
    return 1;
  }
  for (k = 0; k < TEST_GROUPS; k++)
    if (!strcmp(test_filter, test_groups[k].name)) only = &test_groups[k];
  test_whole_group = only != NULL;
  for (k = 0; k < TEST_GROUPS; k++)
    if (!only || only == &test_groups[k]) test_groups[k].tests();
  return test_failed > 0 || test_after;
}
