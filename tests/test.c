/* The tests: test [DIRECTORY [NAME [FLOATS]]], DIRECTORY: where files may be written, NAME: only tests whose name
   contains it, FLOATS: how the processor is told to round (see floats.c). A fourth argument is the program's own: see
   test.h.
   TEST_QUICK: without the paper's runs; TEST_SCALING: the paper's laws alone; TEST_SLOW: the largest runs. */
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

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) snprintf(test_dir, sizeof test_dir, "%s", argv[1]);
  if (argc > 2) test_filter = argv[2];
  if (argc > 3) test_floats = argv[3];
  if (argc > 4) test_after = argv[4];
  if (*test_floats && !set_floats(test_floats)) return 0;
  test_program = argv[0];
  test_limit(0);
  if (test_filter && !strcmp(test_filter, "itself_")) {
    itself_tests();
    return 1;
  }
#if defined(TEST_SLOW)
  slow_tests();
#elif defined(TEST_SCALING)
  scaling_tests();
#else
  RUN(endless_tests_fail_by_name);
  rng_tests();
  data_tests();
  network_tests();
  files_tests();
  ntk_tests();
  eigen_tests();
  margins_tests();
  lazy_tests();
  kernels_tests();
  flow_tests();
  bad_input_tests();
  overflow_tests();
  kpca_tests();
  theory_tests();
  rfm_tests();
  diagnostics_tests();
  measures_tests();
  convnet_tests();
  model_tests();
  images_tests();
  fork_tests();
  failures_tests();
  torture_tests();
#ifndef TEST_QUICK
  paper_tests();
#endif
#endif
  return test_failed > 0 || test_after;
}
