/* A model of one's own under the hinge flow: f(x) = v . swish(U x + c)/h written here, and three callbacks.
     cc -O2 examples/own_model.c -o own_model -lm && ./own_model */
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <math.h>
#include <stdio.h>

enum { D = 5, H = 200, P = 200, N = H * (D + 2) }; /* inputs, neurons, points, weights: rows (U_n, c_n, v_n) */
static double weights[N], J[P][N];

static double network(const double *x, double *df) { /* f at a point, and its gradient */
  double f = 0;
  for (int n = 0; n < H; n++, df += D + 2) {
    const double *w = weights + n * (D + 2);
    double z = w[D], gate, slope;
    for (int k = 0; k < D; k++) z += w[k] * x[k] / sqrt((double)D);
    gate = 1 / (1 + exp(-z));
    slope = w[D + 1] * (gate + z * gate * (1 - gate)) / H;
    for (int k = 0; k < D; k++) df[k] = slope * x[k] / sqrt((double)D);
    df[D] = slope;
    df[D + 1] = z * gate / H;
    f += w[D + 1] * df[D + 1];
  }
  return f;
}

static invman_status evaluate(const double *x, size_t n, double *f, void *user) {
  for (size_t i = 0; i < n; i++) f[i] = network(x + i * D, J[0]);
  (void)user;
  return INVMAN_OK;
}

static invman_status gradient(const double *x, size_t n, const double *r, double *G, void *user) {
  for (int k = 0; k < N; k++) G[k] = 0;
  for (size_t i = 0; i < n; i++) {
    network(x + i * D, J[0]);
    for (int k = 0; k < N; k++) G[k] += r[i] * J[0][k];
  }
  (void)user;
  return INVMAN_OK;
}

static invman_status gram(const double *x, size_t n, double *K, void *user) {
  for (size_t i = 0; i < n; i++) network(x + i * D, J[i]);
  for (size_t i = 0; i < n * n; i++) {
    K[i] = 0;
    for (int k = 0; k < N; k++) K[i] += J[i / n][k] * J[i % n][k];
  }
  (void)user;
  return INVMAN_OK;
}

int main(void) {
  invman_model model = {N, weights, evaluate, gradient, gram, NULL, NULL}; /* no `move`: weights += dt G */
  static invman_data_model stripe;                                         /* all zero */
  static invman_flow_options options;
  static invman_context context;
  static invman_error error;
  invman_flow_info info;
  invman_data train;
  invman_rng rng;
  stripe.d = D;
  options.alpha = 1e-3;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  for (int k = 0; k < N; k++) weights[k] = invman_rng_normal(&rng);
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &stripe, P, &rng, &train) < 0) return 1;
  context.error = &error;
  if (invman_model_check(&context, &model, train.x, 8, D) < 0 || /* are the three functions right? */
      invman_train_model(&context, &model, &train, &options, &info) < 0) {
    fprintf(stderr, "%s (%s %zu)\n", error.what, error.unit, error.place);
    return 1;
  }
  printf("%s: %zu steps, least margin %.4f\n", invman_end_string(info.end), info.step, info.margin_min);
  invman_data_free(NULL, &train);
  return info.status != INVMAN_OK;
}
