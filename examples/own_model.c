/* A model of one's own under the hinge flow: two layers written here, f(x) = v . swish(U x + c)/h, and four callbacks.
     cc -O2 -I.. own_model.c -o own_model -lm && ./own_model */
#define INVMAN_IMPLEMENTATION
#include "invman.h"
#include <stdio.h>

enum { D = 5, H = 200, N = H * (D + 2) }; /* weights: rows (U_n, c_n, v_n), one a neuron */

static double weights[N];

/* f at one point, and, where df is not NULL, its gradient */
static double network(const double *x, double *df) {
  double f = 0;
  for (int n = 0; n < H; n++) {
    double *w = weights + n * (D + 2), z = w[D], gate, slope;
    for (int k = 0; k < D; k++) z += w[k] * x[k] / sqrt((double)D);
    gate = 1 / (1 + exp(-z));
    f += w[D + 1] * z * gate / H;
    if (!df) continue;
    slope = w[D + 1] * (gate + z * gate * (1 - gate)) / H;
    for (int k = 0; k < D; k++) df[n * (D + 2) + k] = slope * x[k] / sqrt((double)D);
    df[n * (D + 2) + D] = slope;
    df[n * (D + 2) + D + 1] = z * gate / H;
  }
  return f;
}

static invman_status evaluate(const double *x, size_t n, double *f, void *user) {
  (void)user;
  for (size_t i = 0; i < n; i++) f[i] = network(x + i * D, NULL);
  return INVMAN_OK;
}

static invman_status gradient(const double *x, size_t n, const double *r, double *G, void *user) {
  double df[N];
  (void)user;
  memset(G, 0, sizeof df);
  for (size_t i = 0; i < n; i++) {
    network(x + i * D, df);
    for (int k = 0; k < N; k++) G[k] += r[i] * df[k];
  }
  return INVMAN_OK;
}

static invman_status gram(const double *x, size_t n, double *K, void *user) {
  double *J = (double *)malloc(n * sizeof(double[N]));
  (void)user;
  if (!J) return INVMAN_E_NOMEM;
  for (size_t i = 0; i < n; i++) {
    network(x + i * D, J + i * N);
    for (size_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int k = 0; k < N; k++) sum += J[i * N + k] * J[j * N + k];
      K[i * n + j] = K[j * n + i] = sum;
    }
  }
  free(J);
  return INVMAN_OK;
}

int main(void) {
  invman_model model = {N, weights, evaluate, gradient, gram, NULL, NULL}; /* NULL: weights += dt G */
  invman_data_model stripe = {0};
  invman_flow_options options = {0};
  invman_flow_info info;
  invman_data train, test;
  invman_rng rng;
  stripe.d = D;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  if (invman_data_sample(NULL, &stripe, 200, &rng, &train) < 0) return 1;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TEST);
  if (invman_data_sample(NULL, &stripe, 5000, &rng, &test) < 0) return 1;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  for (int k = 0; k < N; k++) weights[k] = invman_rng_normal(&rng);
  options.test = &test;
  options.alpha = 1e-3;
  invman_status status = invman_train_model(NULL, &model, &train, &options, &info);
  printf("%s: %zu steps, %zu rejected, least margin %.4f, test error %.4f\n", invman_end_string(info.end), info.step,
         info.rejected, info.margin_min, info.test_error);
  invman_data_free(NULL, &train);
  invman_data_free(NULL, &test);
  return status != INVMAN_OK;
}
