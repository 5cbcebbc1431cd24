/* The tests: test [DIRECTORY [NAME]], DIRECTORY: where files may be written, NAME: only tests whose name contains it. */
#include "test.h"

#include "rng.c"
#include "data.c"
#include "network.c"
#include "margins.c"
#include "flow.c"

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1) snprintf(test_dir, sizeof test_dir, "%s", argv[1]);
  if (argc > 2) test_filter = argv[2];
  rng_tests();
  data_tests();
  network_tests();
  margins_tests();
  flow_tests();
  return test_failed > 0;
}
