/* kill NET STATE: trains a flow, saves it after every step, goes on from the file where there is one, and writes the
   network that it ends with. tests/kill.sh kills it at any moment: it must end in the same bits. */
#define INVMAN_IMPLEMENTATION
#include "../invman.h"

static const char *state;
static invman_flow *flow;

static int save(const invman_flow_info *info, const invman_net *net, void *user) {
  (void)info, (void)net, (void)user;
  return invman_flow_save(flow, state) < 0;
}

int main(int argc, char **argv) {
  invman_data_model model;
  invman_flow_options options;
  invman_data train;
  invman_net net;
  invman_rng rng;
  invman_status status;
  FILE *file;
  if (argc != 3) return 2;
  state = argv[2];
  memset(&model, 0, sizeof model);
  memset(&options, 0, sizeof options);
  memset(&net, 0, sizeof net);
  model.d = 6;
  options.report = save;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &model, 60, &rng, &train) < 0) return 1;
  file = fopen(state, "rb");
  if (file) {
    fclose(file);
    status = invman_flow_resume(NULL, state, &net, &train, &options, &flow);
  } else {
    invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
    if (invman_net_init(NULL, 1500, 6, &rng, &net) < 0) return 1;
    status = invman_flow_create(NULL, &net, &train, &options, &flow);
  }
  if (status >= 0) status = invman_flow_run(flow);
  if (status == INVMAN_OK) status = invman_net_save(NULL, &net, argv[1]);
  if (status != INVMAN_OK) fprintf(stderr, "%s\n", invman_status_string(status));
  return status != INVMAN_OK;
}
