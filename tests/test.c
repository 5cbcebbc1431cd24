/* The tests: test [DIRECTORY [NAME]], DIRECTORY: where files may be written, NAME: only tests whose name contains it.
   TEST_QUICK: without the paper's runs; TEST_SCALING: the paper's laws alone; TEST_SLOW: the largest runs. */
#include "test.h"

#include "rng.c"
#include "data.c"
#include "network.c"
#include "files.c"
#include "ntk.c"
#include "eigen.c"
#include "margins.c"
#include "lazy.c"
#include "flow.c"
#include "bad_input.c"
#include "overflow.c"
#include "kpca.c"
#include "theory.c"
#include "diagnostics.c"
#include "convnet.c"
#include "model.c"
#include "images.c"
#include "failures.c"
#include "torture.c"
#include "paper.c"
#include "scaling.c"

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) snprintf(test_dir, sizeof test_dir, "%s", argv[1]);
  if (argc > 2) test_filter = argv[2];
#if defined(TEST_SLOW)
  slow_tests();
#elif defined(TEST_SCALING)
  scaling_tests();
#else
  rng_tests();
  data_tests();
  network_tests();
  files_tests();
  ntk_tests();
  eigen_tests();
  margins_tests();
  lazy_tests();
  flow_tests();
  bad_input_tests();
  overflow_tests();
  kpca_tests();
  theory_tests();
  diagnostics_tests();
  convnet_tests();
  model_tests();
  images_tests();
  failures_tests();
  torture_tests();
#ifndef TEST_QUICK
  paper_tests();
#endif
#endif
  return test_failed > 0;
}
