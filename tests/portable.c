/* One line per part of the library and one hash for all: the same on every machine with INVMAN_PORTABLE.
   portable [--backwards | --bits N]: tasks by a parallel_for of the caller's, last one first; narrower vectors. */
#define INVMAN_PORTABLE
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <stdio.h>
#include <stdlib.h>

static uint64_t part_hash, all_hash = UINT64_C(0xcbf29ce484222325);

static void hash_bits(uint64_t bits) { /* FNV-1a, byte by byte from the lowest */
  int k;
  for (k = 0; k < 8; k++) part_hash = (part_hash ^ ((bits >> (8 * k)) & 255)) * UINT64_C(0x100000001b3);
}

static void hash_doubles(const double *x, size_t n) {
  size_t i;
  uint64_t bits;
  for (i = 0; i < n; i++) {
    memcpy(&bits, &x[i], sizeof bits);
    hash_bits(bits);
  }
}

static void begin_part(void) { part_hash = UINT64_C(0xcbf29ce484222325); }
static void end_part(const char *name) {
  uint64_t part = part_hash;
  printf("%-24s %08lx%08lx\n", name, (unsigned long)(part >> 32), (unsigned long)(part & 0xffffffffu));
  part_hash = all_hash;
  hash_bits(part);
  all_hash = part_hash;
}

static void need(int good, const char *what) {
  if (good) return;
  printf("FAIL %s\n", what);
  exit(1);
}

static void backwards(size_t count, void (*task)(size_t, void *), void *arg, void *user) {
  (void)user;
  while (count-- > 0) task(count, arg);
}

#ifdef PORTABLE_THREADS /* four threads that race for the tasks: for the thread sanitizer, which does not know OpenMP's */
#include <pthread.h>

typedef struct crew {
  size_t count, next;
  void (*task)(size_t, void *);
  void *arg;
  pthread_mutex_t mutex;
} crew;

static void *work(void *arg) {
  crew *c = (crew *)arg;
  for (;;) {
    size_t i;
    pthread_mutex_lock(&c->mutex);
    i = c->next++;
    pthread_mutex_unlock(&c->mutex);
    if (i >= c->count) return NULL;
    c->task(i, c->arg);
  }
}

static void threads(size_t count, void (*task)(size_t, void *), void *arg, void *user) {
  pthread_t thread[4];
  crew c;
  int k;
  (void)user;
  c.count = count;
  c.next = 0;
  c.task = task;
  c.arg = arg;
  pthread_mutex_init(&c.mutex, NULL);
  for (k = 0; k < 4; k++) need(pthread_create(&thread[k], NULL, work, &c) == 0, "threads");
  for (k = 0; k < 4; k++) pthread_join(thread[k], NULL);
  pthread_mutex_destroy(&c.mutex);
}
#endif

static double *room(size_t n) {
  double *x = (double *)calloc(n, sizeof(double));
  need(x != NULL, "memory");
  return x;
}

static void sample(invman_context *ctx, int kind, size_t d, size_t n, uint64_t stream, invman_data *data) {
  invman_data_model model;
  invman_rng rng;
  memset(&model, 0, sizeof model);
  model.kind = kind;
  model.d = d;
  if (kind == INVMAN_CYLINDER) model.d_par = 3;
  invman_rng_seed(&rng, 7, stream);
  need(invman_data_sample(ctx, &model, n, &rng, data) == INVMAN_OK, "data");
}

static void hash_data(invman_context *ctx) {
  int kind;
  begin_part();
  for (kind = INVMAN_STRIPE; kind <= INVMAN_CYLINDER; kind++) {
    invman_data data;
    sample(ctx, kind, 5, 500, INVMAN_STREAM_TEST, &data);
    hash_doubles(data.x, 2500);
    hash_doubles(data.y, 500);
    invman_data_free(ctx, &data);
  }
  end_part("data");
}

static void hash_flow(invman_context *ctx, const char *name, int loss, int single, size_t d, size_t p, size_t h,
                      double alpha, size_t steps) {
  invman_data train;
  invman_net net;
  invman_rng rng;
  invman_flow_options options;
  invman_flow *flow;
  const invman_flow_info *info;
  double *F = room(p), *K = room(p * p);
  sample(ctx, INVMAN_STRIPE, d, p, INVMAN_STREAM_TRAIN, &train);
  invman_rng_seed(&rng, 7, INVMAN_STREAM_WEIGHTS);
  need(invman_net_init(ctx, h, d, &rng, &net) == INVMAN_OK, "network");
  memset(&options, 0, sizeof options);
  options.alpha = alpha;
  options.loss = loss;
  options.single = single;
  options.step_max = steps;
  need(invman_flow_create(ctx, &net, &train, &options, &flow) == INVMAN_OK, "flow");
  need(invman_flow_run(flow) >= 0, "run");
  info = invman_flow_get_info(flow);
  need(invman_flow_predict(flow, train.x, p, F) == INVMAN_OK, "predict");
  need(invman_ntk_gram(ctx, &net, INVMAN_NTK_ALL, train.x, p, NULL, 0, K) == INVMAN_OK, "Gram matrix");
  begin_part();
  hash_doubles(&info->t, 1);
  hash_doubles(&info->t_star, 1);
  hash_doubles(&info->lambda, 1);
  hash_doubles(&info->loss, 1);
  hash_bits(info->step);
  hash_bits(info->events);
  hash_doubles(net.w, h * d);
  hash_doubles(net.b, h);
  hash_doubles(net.beta, h);
  hash_doubles(F, p);
  end_part(name);
  if (loss == INVMAN_HINGE && !single) {
    begin_part();
    hash_doubles(K, p * p);
    end_part("Gram matrix");
  }
  invman_flow_free(flow);
  invman_net_free(ctx, &net);
  invman_data_free(ctx, &train);
  free(F);
  free(K);
}

/* A kernel of condition 1e13, which the flow follows in twofold precision */
static void hash_ill_conditioned(invman_context *ctx) {
  enum { N = 10 };
  double K[N * N], y[N], a[N];
  invman_lazy_info info;
  size_t i, j;
  for (i = 0; i < N; i++) {
    y[i] = i % 3 == 1 ? 1 : -1;
    for (j = 0; j < N; j++) K[i * N + j] = 1 / (double)(i + j + 1);
  }
  need(invman_lazy_train(ctx, K, y, N, NULL, a, &info) == INVMAN_OK, "lazy flow, ill-conditioned");
  hash_doubles(a, N);
  hash_doubles(&info.s, 1);
}

static void hash_kernel(invman_context *ctx) {
  const size_t p = 300, d = 5, k = 10;
  invman_data train;
  invman_lazy_info info;
  double *K = room(p * p), *a = room(p), *V = room(p * p), *lambda = room(p);
  sample(ctx, INVMAN_STRIPE, d, p, INVMAN_STREAM_TRAIN, &train);
  need(invman_ntk_gram_infinite(ctx, d, INVMAN_NTK_ALL, train.x, p, NULL, 0, K) == INVMAN_OK, "infinite width");
  begin_part();
  hash_doubles(K, p * p);
  end_part("infinite width");

  need(invman_lazy_train(ctx, K, train.y, p, NULL, a, &info) == INVMAN_OK, "lazy flow");
  begin_part();
  hash_doubles(a, p);
  hash_bits(info.events);
  hash_ill_conditioned(ctx);
  end_part("lazy flow");

  memcpy(V, K, p * p * sizeof(double));
  need(invman_eigh(ctx, p, V, lambda) == INVMAN_OK, "eigh");
  begin_part();
  hash_doubles(lambda, p);
  hash_doubles(V, p * p);
  end_part("eigh");

  need(invman_kernel_pca(ctx, K, NULL, p, k, lambda, V, NULL) >= 0, "kernel PCA");
  begin_part();
  hash_doubles(lambda, k);
  hash_doubles(V, k * p);
  end_part("kernel PCA");
  invman_data_free(ctx, &train);
  free(K);
  free(a);
  free(V);
  free(lambda);
}

static void hash_convnet(invman_context *ctx) {
  enum { IMAGES = 12, SIDE = 12 };
  invman_convnet_options options;
  invman_convnet *net;
  invman_rng rng;
  double x[IMAGES * SIDE * SIDE], f[IMAGES], r[IMAGES], *grad;
  size_t i;
  memset(&options, 0, sizeof options);
  options.channels = 1;
  options.height = options.width = SIDE;
  options.width_factor = 2;
  invman_rng_seed(&rng, 7, INVMAN_STREAM_TRAIN);
  for (i = 0; i < IMAGES * SIDE * SIDE; i++) x[i] = invman_rng_normal(&rng);
  invman_rng_seed(&rng, 7, INVMAN_STREAM_WEIGHTS);
  need(invman_convnet_create(ctx, &options, &rng, &net) == INVMAN_OK, "convolutional network");
  grad = room(invman_convnet_size(net));
  for (i = 0; i < IMAGES; i++) r[i] = i % 2 ? 0.5 : -0.25;
  need(invman_convnet_eval(net, x, IMAGES, f) == INVMAN_OK, "its outputs");
  need(invman_convnet_gradient(net, x, IMAGES, r, grad) == INVMAN_OK, "its gradient");
  begin_part();
  hash_doubles(f, IMAGES);
  hash_doubles(grad, invman_convnet_size(net));
  end_part("convolutional network");
  invman_convnet_free(net);
  free(grad);
}

/* What is not said to call the C library: spectra, classes, dimensions, pieces, mixing. */
static void hash_diagnostics(invman_context *ctx) {
  enum { P = 90, D = 4, H = 40 };
  invman_data train;
  invman_net net;
  invman_rng rng;
  invman_spectrum spectrum;
  invman_collapse collapse;
  invman_sinkhorn_info info;
  invman_mixing mixing;
  double *K = room(P * P), *U = room(P * P), *far_ = room(P * P), *M = room(P * P), lambda[P], x[P], scalar[8];
  double rate[H], t[H], g[D * D], volume, lambda_g;
  size_t count, found;
  sample(ctx, INVMAN_STRIPE, D, P, INVMAN_STREAM_TRAIN, &train);
  invman_rng_seed(&rng, 7, INVMAN_STREAM_WEIGHTS);
  need(invman_net_init_orthogonal(ctx, H, D, &rng, &net) == INVMAN_OK, "orthogonal weights");
  need(invman_ntk_gram(ctx, &net, INVMAN_NTK_ALL, train.x, P, NULL, 0, K) == INVMAN_OK, "kernel");
  memcpy(U, K, P * P * sizeof(double));
  need(invman_eigh(ctx, P, U, lambda) == INVMAN_OK, "its spectrum");
  begin_part();
  hash_doubles(net.w, H * D);
  need(invman_spectral_measures(ctx, lambda, P, 0, 0, &spectrum) == INVMAN_OK, "spectral measures");
  hash_doubles(&spectrum.entropy, 1);
  hash_doubles(&spectrum.participation_ratio, 1);
  need(invman_von_neumann_entropy(ctx, K, P, scalar) == INVMAN_OK, "von Neumann entropy");
  need(invman_ridge_leverage(ctx, lambda, U, P, 0.1, x, scalar + 1) == INVMAN_OK, "leverage");
  hash_doubles(x, P);
  need(invman_target_alignment(ctx, K, train.y, P, scalar + 2) == INVMAN_OK, "alignment");
  need(invman_cumulative_power(ctx, U, train.y, P, x) == INVMAN_OK, "label power");
  hash_doubles(x, P);
  need(invman_kernel_distances(ctx, K, P, far_) == INVMAN_OK, "distances");
  need(invman_two_nn(ctx, far_, P, INVMAN_TWO_NN_FIT, scalar + 3) == INVMAN_OK, "TwoNN");
  need(invman_local_dimension(ctx, far_, P, 8, INVMAN_LID_MLE, x, scalar + 4, scalar + 5) == INVMAN_OK, "local");
  need(invman_mst_dimension(ctx, far_, P, scalar + 6) == INVMAN_OK, "tree");
  need(invman_diffusion_information(ctx, far_, train.y, P, 0.1, 1, 2, &rng, scalar + 7) == INVMAN_OK, "diffusion");
  hash_doubles(scalar, 8);
  need(invman_neural_collapse(ctx, K, train.y, P, &collapse) == INVMAN_OK, "collapse");
  hash_doubles(&collapse.nc1, 1);
  need(invman_stein_directions(ctx, &train, 3, &rng, x, g, scalar, &found) == INVMAN_OK, "directions");
  hash_doubles(x, D);
  hash_doubles(g, D * D);
  need(invman_pullback_metric(ctx, &net, train.x, 1, 1, g, &volume, &lambda_g) == INVMAN_OK, "metric");
  hash_doubles(g, D * D);
  hash_doubles(&volume, 1);
  hash_doubles(&lambda_g, 1);
  need(invman_hessian_spectrum(ctx, &net, &train, NULL, rate, NULL) == INVMAN_OK, "rates");
  hash_doubles(rate, H);
  need(invman_linear_regions(ctx, &net, train.x, train.x + D, t, &count) == INVMAN_OK, "regions");
  hash_doubles(t, count);
  need(invman_sinkhorn(ctx, K, P, 0.05, 0, 200, M, &info) >= 0, "mixing");
  hash_doubles(M, P * P);
  need(invman_mixing_measures(ctx, M, P, &mixing) == INVMAN_OK, "its measures");
  hash_doubles(&mixing.sigma_2, 1);
  hash_doubles(&mixing.entropy, 1);
  end_part("diagnostics");
  invman_data_free(ctx, &train);
  invman_net_free(ctx, &net);
  free(K);
  free(U);
  free(far_);
  free(M);
}

int main(int argc, char **argv) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  if (argc > 1 && strcmp(argv[1], "--backwards") == 0) ctx.parallel_for = backwards;
  if (argc > 2 && strcmp(argv[1], "--bits") == 0) ctx.vector_bits = atoi(argv[2]);
#ifdef PORTABLE_THREADS
  ctx.parallel_for = threads;
#endif
  hash_data(&ctx);
  hash_flow(&ctx, "flow", INVMAN_HINGE, 0, 4, 120, 150, 1e-6, 0);
  hash_flow(&ctx, "flow, soft hinge", INVMAN_SOFT_HINGE, 0, 3, 40, 64, 1e-3, 40);
  hash_flow(&ctx, "flow, squared hinge", INVMAN_SQUARED_HINGE, 0, 3, 40, 64, 1e-3, 40);
  hash_flow(&ctx, "flow, single precision", INVMAN_HINGE, 1, 3, 60, 100, 1e-6, 0);
  hash_kernel(&ctx);
  hash_convnet(&ctx);
  hash_diagnostics(&ctx);
  printf("all %08lx%08lx\n", (unsigned long)(all_hash >> 32), (unsigned long)(all_hash & 0xffffffffu));
  return 0;
}
