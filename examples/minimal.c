/* The shortest run: train on the paper's stripe, see how much the network compressed what does not matter.
   cc -O2 -fopenmp examples/minimal.c -lm && ./a.out */
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <stdio.h>

int main(void) {
  static invman_data_model stripe; /* all zero: labels depend on x_1 alone ... */
  static invman_flow_options options;
  invman_flow_info info;
  invman_rng rng;
  invman_data train, test;
  invman_net net;
  stripe.d = 5; /* ... of five inputs */
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &stripe, 400, &rng, &train) < 0) return 1;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TEST);
  if (invman_data_sample(NULL, &stripe, 5000, &rng, &test) < 0) return 1;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  if (invman_net_init(NULL, 1000, 5, &rng, &net) < 0) return 1;
  options.test = &test;
  if (invman_train(NULL, &net, &train, &options, &info) < 0) return 1;
  printf("%s: Lambda* = %.1f, test error %.4f\n", invman_status_string(info.status), info.lambda_star, info.test_error);
  invman_net_free(NULL, &net);
  invman_data_free(NULL, &train);
  invman_data_free(NULL, &test);
  return 0;
}
