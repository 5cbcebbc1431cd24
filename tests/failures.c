/* What fails once: every allocation of every public function that takes a context, every byte of every file that is
   written or read. A failed call says so and where, loses no memory, leaves its outputs empty or untouched, and leaves
   what it worked on as it is documented. */

#if defined(__unix__) || defined(__APPLE__)
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#define FAIL_POSIX 1
#endif

/* ---- a heap whose k-th allocation fails, alone or with all that follow; it hands out nonsense, not zeros */

typedef struct fail_heap {
  size_t calls, fail_at, blocks, bytes; /* fail_at 0: never */
  size_t most;                          /* bytes that there are; 0: any */
  int once, wrong;                      /* wrong: a block came back that was not given, or with another size */
} fail_heap;

enum { FAIL_HEADER = 64 };

static void *fail_alloc(size_t bytes, void *user) {
  fail_heap *heap = (fail_heap *)user;
  unsigned char *block;
  heap->calls++;
  if (heap->fail_at > 0 && (heap->once ? heap->calls == heap->fail_at : heap->calls >= heap->fail_at)) return NULL;
  if (heap->most > 0 && bytes > heap->most - heap->bytes) return NULL;
  block = (unsigned char *)malloc(bytes + FAIL_HEADER);
  if (!block) return NULL;
  memcpy(block, &bytes, sizeof bytes);
  memset(block + FAIL_HEADER, 0xa5, bytes);
  heap->blocks++;
  heap->bytes += bytes;
  return block + FAIL_HEADER;
}

static void fail_release(void *memory, size_t bytes, void *user) {
  fail_heap *heap = (fail_heap *)user;
  unsigned char *block = (unsigned char *)memory - FAIL_HEADER;
  size_t had;
  memcpy(&had, block, sizeof had);
  heap->wrong |= had != bytes;
  heap->blocks--;
  heap->bytes -= had;
  memset(block, 0x5a, bytes + FAIL_HEADER);
  free(block);
}

/* ---- a call, and what it works on */

enum { FAIL_P = 40, FAIL_D = 3, FAIL_H = 30, FAIL_OUT = FAIL_P * FAIL_P + 4 * FAIL_P, FAIL_STEPS = 60 };

typedef struct fail_case {
  invman_context ctx;
  invman_error error;
  fail_heap heap;
  invman_flow_options o;
  /* what is there before, or made by the call */
  invman_data data;
  invman_net net, made, kept; /* kept: net as it was before the step, in memory of its own */
  invman_flow *flow;
  invman_convnet *conv, *conv_made;
  toy model;
  double *weights; /* model's as they were */
  invman_rng rng;
  double out[FAIL_OUT]; /* arrays that the call writes */
  double seen[8 * FAIL_P];
} fail_case;

/* Inputs that all calls share. */
static struct {
  test_problem q;
  toy model;
  double *K, *x, *z, *r;             /* K positive definite; x images of 2 x 3 pixels */
  double metric[FAIL_D * FAIL_D];    /* positive definite, not diagonal */
  double *lambda, *U, *D, *far_, *M; /* K's eigenpairs and distances; those of 64 points; doubly stochastic */
  char csv[512], idx[2][512], net[512], flow[512], chain[512], momentum[512], conv[512], saved[512];
} fail_in;

static void fail_model_options(fail_case *c, int momentum) {
  c->o.alpha = 0.1;
  c->o.step_max = FAIL_STEPS;
  if (!momentum) return;
  c->o.dynamics = INVMAN_MOMENTUM;
  c->o.momentum = 3;
  c->o.loss = INVMAN_SOFT_HINGE;
  c->o.max_dgrad = 0.05;
  c->o.max_dout = 0.5;
}

static invman_model fail_model(fail_case *c) { return toy_model(&c->model); }

static void fail_keep(fail_case *c) { /* what a step starts from */
  if (c->net.w) invman_i_copy_weights(&c->net, &c->kept);
  if (c->model.w) memcpy(c->weights, c->model.w, c->model.size * sizeof(double));
}

/* The weights, as they were at first, where a call may have moved them. */
static void fail_again(fail_case *c) {
  if (c->net.w) invman_i_copy_weights(&fail_in.q.net, &c->net);
  if (c->model.w) memcpy(c->model.w, fail_in.model.w, c->model.size * sizeof(double));
  fail_keep(c);
}

static void fail_open(fail_case *c) { /* nothing but memory, options and outputs */
  size_t i;
  memset(c, 0, sizeof *c);
  c->ctx.alloc = fail_alloc;
  c->ctx.release = fail_release;
  c->ctx.user = &c->heap;
  c->ctx.error = &c->error;
  invman_rng_seed(&c->rng, 1, 1);
  c->o.alpha = 0.1; /* so large that points reach their margin in a few steps */
  c->o.step_max = FAIL_STEPS;
  c->o.test = &fail_in.q.test;
  for (i = 0; i < FAIL_OUT; i++) c->out[i] = 7;
}

static void fail_close(fail_case *c) {
  invman_flow_free(c->flow);
  invman_data_free(&c->ctx, &c->data);
  invman_net_free(&c->ctx, &c->net);
  invman_net_free(&c->ctx, &c->made);
  invman_net_free(NULL, &c->kept);
  invman_convnet_free(c->conv);
  invman_convnet_free(c->conv_made);
  free(c->model.w), free(c->weights);
  CHECK(c->heap.blocks == 0 && c->heap.bytes == 0 && !c->heap.wrong);
}

static void fail_need(int ok) {
  if (ok) return;
  printf("FAIL an object for a test of failures could not be made\n");
  exit(1);
}

/* ---- what is there before a call */

static void open_net(fail_case *c) {
  fail_need(invman_net_copy(&c->ctx, &fail_in.q.net, &c->net) == INVMAN_OK);
  fail_need(invman_net_copy(NULL, &fail_in.q.net, &c->kept) == INVMAN_OK);
}
static void open_grad(fail_case *c) { /* and room for a gradient */
  open_net(c);
  fail_need(invman_net_copy(&c->ctx, &fail_in.q.net, &c->made) == INVMAN_OK);
}
static void open_single(fail_case *c) {
  open_net(c);
  c->o.single = 1;
  c->o.alpha = 1e-3;
}
static void open_soft(fail_case *c) {
  open_net(c);
  c->o.loss = INVMAN_SOFT_HINGE;
}
static void open_net_flow(fail_case *c) {
  open_net(c);
  fail_need(invman_flow_create(&c->ctx, &c->net, &fail_in.q.train, &c->o, &c->flow) == INVMAN_OK);
}
static void open_soft_flow(fail_case *c) {
  open_soft(c);
  fail_need(invman_flow_create(&c->ctx, &c->net, &fail_in.q.train, &c->o, &c->flow) == INVMAN_OK);
}
static void open_trained(fail_case *c) {
  open_net_flow(c);
  fail_need(invman_flow_run(c->flow) == INVMAN_STOPPED);
}
static void open_model_of(fail_case *c, int momentum) {
  fail_model_options(c, momentum);
  c->model = fail_in.model;
  c->model.w = (double *)malloc(c->model.size * sizeof(double));
  c->weights = (double *)malloc(c->model.size * sizeof(double));
  fail_again(c);
}
static void open_chain(fail_case *c) { open_model_of(c, 0); }
static void open_momentum(fail_case *c) { open_model_of(c, 1); }
static void open_model_flow(fail_case *c) {
  invman_model model = fail_model(c);
  fail_need(invman_flow_create_model(&c->ctx, &model, &fail_in.q.train, &c->o, &c->flow) == INVMAN_OK);
}
static void open_chain_flow(fail_case *c) {
  open_chain(c);
  open_model_flow(c);
}
static void open_momentum_flow(fail_case *c) {
  open_momentum(c);
  open_model_flow(c);
}
static invman_convnet_options fail_shape(void) {
  invman_convnet_options o = convnet_options(1, 2, 3, 0.3);
  o.blocks = o.layers = 1;
  return o;
}
static void open_conv(fail_case *c) {
  invman_convnet_options o = fail_shape();
  c->conv = make_convnet(&c->ctx, &o, 3);
}
static void open_kernel(fail_case *c) { memcpy(c->out, fail_in.K, FAIL_P * FAIL_P * sizeof(double)); }

/* ---- the calls */

static invman_status do_data_sample(fail_case *c) {
  invman_data_model model = a_model(INVMAN_CYLINDER, 3);
  return invman_data_sample(&c->ctx, &model, 30, &c->rng, &c->data);
}
static invman_status do_read_csv(fail_case *c) { return invman_data_read_csv(&c->ctx, fail_in.csv, &c->data); }
static invman_status do_read_idx(fail_case *c) {
  invman_idx_options o;
  memset(&o, 0, sizeof o);
  o.centre = 1;
  return invman_data_read_idx(&c->ctx, fail_in.idx[0], fail_in.idx[1], &o, &c->data);
}
static invman_status do_net_init(fail_case *c) { return invman_net_init(&c->ctx, 20, 3, &c->rng, &c->made); }
static invman_status do_net_copy(fail_case *c) { return invman_net_copy(&c->ctx, &c->net, &c->made); }
static invman_status do_net_eval(fail_case *c) {
  return invman_net_eval(&c->ctx, &c->net, fail_in.q.train.x, FAIL_P, c->out);
}
static invman_status do_net_gradient(fail_case *c) {
  return invman_net_gradient(&c->ctx, &c->net, fail_in.q.train.x, FAIL_P, fail_in.r, &c->made);
}
static invman_status do_net_save(fail_case *c) { return invman_net_save(&c->ctx, &c->net, fail_in.saved); }
static invman_status do_file_create(fail_case *c) {
  invman_file *file = NULL;
  invman_status status = invman_file_create(&c->ctx, fail_in.saved, &file);
  CHECK((status == INVMAN_OK) == (file != NULL));
  if (!file) return status;
  fputs("text", (FILE *)invman_file_stream(file));
  return invman_file_commit(file);
}
static invman_status do_file_check(fail_case *c) { return invman_file_check(&c->ctx, fail_in.saved); }
static invman_status do_net_load(fail_case *c) { return invman_net_load(&c->ctx, fail_in.net, &c->made); }
static invman_status do_train(fail_case *c) {
  invman_flow_info info;
  invman_status status;
  fail_again(c);
  status = invman_train(&c->ctx, &c->net, &fail_in.q.train, &c->o, &info);
  if (status >= 0) c->out[0] = info.t, c->out[1] = info.test_error;
  return status;
}
static invman_status do_flow_create(fail_case *c) {
  return invman_flow_create(&c->ctx, &c->net, &fail_in.q.train, &c->o, &c->flow);
}
static invman_status do_flow_step(fail_case *c) {
  invman_status status = INVMAN_STOPPED;
  size_t k;
  for (k = 0; k < FAIL_STEPS && status >= 0; k++) {
    fail_keep(c);
    status = invman_flow_step(c->flow);
  }
  return status;
}
static invman_status do_flow_run(fail_case *c) { return invman_flow_run(c->flow); }
static invman_status do_flow_predict(fail_case *c) {
  return invman_flow_predict(c->flow, fail_in.q.test.x, FAIL_P, c->out);
}
static invman_status do_flow_save(fail_case *c) { return invman_flow_save(c->flow, fail_in.saved); }
static invman_status do_flow_resume(fail_case *c) {
  return invman_flow_resume(&c->ctx, fail_in.flow, &c->net, &fail_in.q.train, &c->o, &c->flow);
}
static invman_status do_flow_resume_anew(fail_case *c) { /* the network is made */
  return invman_flow_resume(&c->ctx, fail_in.flow, &c->made, &fail_in.q.train, &c->o, &c->flow);
}
static invman_status do_train_model(fail_case *c) {
  invman_model model = fail_model(c);
  invman_flow_info info;
  invman_status status;
  fail_again(c);
  status = invman_train_model(&c->ctx, &model, &fail_in.q.train, &c->o, &info);
  if (status >= 0) c->out[0] = info.t, c->out[1] = info.test_error;
  return status;
}
static invman_status do_model_check(fail_case *c) {
  invman_model model = fail_model(c);
  return invman_model_check(&c->ctx, &model, fail_in.q.train.x, 5, FAIL_D);
}
static invman_status do_train_convnet(fail_case *c) { /* whose callbacks take memory */
  invman_model model = invman_convnet_model(c->conv);
  invman_data images;
  size_t N = invman_convnet_size(c->conv);
  double *start = normals(N, 8);
  invman_status status;
  memcpy(invman_convnet_weights(c->conv), start, N * sizeof(double));
  images.n = 12, images.d = 6, images.x = fail_in.x, images.y = fail_in.q.train.y;
  c->o.test = NULL;
  c->o.alpha = 0.1;
  c->o.step_max = 3;
  status = invman_train_model(&c->ctx, &model, &images, &c->o, NULL);
  free(start);
  return status;
}
static invman_status do_flow_create_model(fail_case *c) {
  invman_model model = fail_model(c);
  return invman_flow_create_model(&c->ctx, &model, &fail_in.q.train, &c->o, &c->flow);
}
static invman_status do_flow_resume_model(fail_case *c) {
  invman_model model = fail_model(c);
  const char *path = c->o.dynamics == INVMAN_MOMENTUM ? fail_in.momentum : fail_in.chain;
  return invman_flow_resume_model(&c->ctx, path, &model, &fail_in.q.train, &c->o, &c->flow);
}
static invman_status do_ntk_gram(fail_case *c) {
  return invman_ntk_gram(&c->ctx, &c->net, INVMAN_NTK_ALL, fail_in.q.train.x, FAIL_P, NULL, 0, c->out);
}
static invman_status do_ntk_gram_two(fail_case *c) {
  return invman_ntk_gram(&c->ctx, &c->net, INVMAN_NTK_LAST_LAYER, fail_in.q.train.x, FAIL_P, fail_in.z, 9, c->out);
}
static invman_status do_ntk_gram_infinite(fail_case *c) {
  return invman_ntk_gram_infinite(&c->ctx, FAIL_D, INVMAN_NTK_ALL, fail_in.q.train.x, FAIL_P, NULL, 0, c->out);
}
static invman_status do_ntk_gram_deep(fail_case *c) {
  return invman_ntk_gram_deep(&c->ctx, FAIL_D, 3, INVMAN_NTK_ALL, fail_in.q.train.x, FAIL_P, NULL, 0, c->out);
}
static invman_status do_rfm_train(fail_case *c) {
  invman_rfm_options o;
  invman_rfm_info info;
  memset(&o, 0, sizeof o);
  o.kernel = INVMAN_RFM_LAPLACE; /* its bandwidth is looked for */
  o.test = &fail_in.q.test;
  return invman_rfm_train(&c->ctx, &fail_in.q.train, &o, c->out, c->out + FAIL_P, &info);
}
static invman_status do_rfm_predict(fail_case *c) {
  const double *x = fail_in.q.test.x;
  return invman_rfm_predict(&c->ctx, &fail_in.q.train, NULL, fail_in.metric, fail_in.r, x, FAIL_P, c->out);
}
static invman_status do_kernel_agop(fail_case *c) {
  return invman_kernel_agop(&c->ctx, &fail_in.q.train, NULL, fail_in.metric, fail_in.r, c->out);
}
static invman_status do_lazy(fail_case *c, int columns) {
  invman_lazy_options o = no_lazy_options();
  invman_lazy_info info;
  invman_status status;
  const invman_data *train = &fail_in.q.train;
  o.margin = c->out + FAIL_P;
  status =
      columns ? invman_lazy_train_columns(&c->ctx, ntk_of_column, &fail_in.q.train, train->y, FAIL_P, &o, c->out, &info)
              : invman_lazy_train(&c->ctx, fail_in.K, train->y, FAIL_P, &o, c->out, &info);
  if (status >= 0) c->out[2 * FAIL_P] = info.s;
  else CHECK(info.s == 0 && info.events == 0 && info.status == INVMAN_OK);
  return status;
}
static invman_status do_lazy_train(fail_case *c) { return do_lazy(c, 0); }
static invman_status do_lazy_train_columns(fail_case *c) { return do_lazy(c, 1); }
static invman_status do_lazy_regression(fail_case *c) {
  static const double s[3] = {0.5, 7, HUGE_VAL};
  return invman_lazy_regression(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, s, 3, c->out);
}
static invman_status do_box(fail_case *c, double eigenvalue) { /* whose doubles do not do where it is small */
  invman_qp_info info;
  double *Q = (double *)malloc(FAIL_P * FAIL_P * sizeof(double)), start[FAIL_P];
  invman_status status;
  size_t i;
  for (i = 0; i < FAIL_P * FAIL_P; i++)
    Q[i] = eigenvalue > 0 ? (i % (FAIL_P + 1) == 0 ? 1 + eigenvalue : 1) : fail_in.K[i];
  memcpy(start, c->out, sizeof start);
  status = invman_box_qp(&c->ctx, Q, fail_in.q.train.y, NULL, NULL, FAIL_P, c->out, &info);
  if (status >= 0) c->out[FAIL_P] = info.objective;
  else CHECK(info.pivots == 0 && info.status == INVMAN_OK && same_bits(start, c->out, FAIL_P));
  free(Q);
  return status;
}
static invman_status do_box_qp(fail_case *c) { return do_box(c, 0); }
static invman_status do_box_qp_exactly(fail_case *c) { return do_box(c, 1e-14); }
static invman_status do_eigh(fail_case *c) { return invman_eigh(&c->ctx, FAIL_P, c->out, c->out + FAIL_P * FAIL_P); }
static invman_status do_eigvalsh(fail_case *c) { /* the matrix is destroyed: it is no result */
  double *A = (double *)malloc(FAIL_P * FAIL_P * sizeof(double));
  invman_status status;
  memcpy(A, fail_in.K, FAIL_P * FAIL_P * sizeof(double));
  status = invman_eigvalsh(&c->ctx, FAIL_P, A, c->out);
  free(A);
  return status;
}
static invman_status do_eigh_top(fail_case *c) {
  eigen_operator op = {fail_in.K, 0, 0};
  return invman_eigh_top(&c->ctx, FAIL_P, 3, eigen_apply, &op, 0, c->out, c->out + FAIL_P);
}
static invman_status do_kernel_pca(fail_case *c) { /* all of it */
  return invman_kernel_pca(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, FAIL_P, c->out, c->out + FAIL_P,
                           c->out + FAIL_P + FAIL_P * FAIL_P);
}
static invman_status do_kernel_pca_few(fail_case *c) { /* by products */
  return invman_kernel_pca(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, 1, c->out, c->out + FAIL_P,
                           c->out + 3 * FAIL_P);
}
static invman_status do_kernel_pca_shares(fail_case *c) { /* what is not wanted is taken too */
  return invman_kernel_pca(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, 5, NULL, NULL, c->out);
}
static invman_status do_mi(fail_case *c) {
  return invman_mutual_information(&c->ctx, fail_in.q.train.x, 1, fail_in.q.train.y, FAIL_P, NULL, c->out);
}
static invman_status do_mi_wide(fail_case *c) {
  return invman_mutual_information(&c->ctx, fail_in.q.train.x, FAIL_D, fail_in.q.train.y, FAIL_P, NULL, c->out);
}
static invman_status do_mi_null(fail_case *c) {
  return invman_mutual_information_null(&c->ctx, fail_in.q.train.x, FAIL_D, fail_in.q.train.y, FAIL_P, NULL, 3, &c->rng,
                                        c->out, c->out + 1);
}
static invman_status do_intrinsic_dimension(fail_case *c) {
  return invman_intrinsic_dimension(&c->ctx, fail_in.K, FAIL_P, c->out, c->out + 1);
}
static invman_status do_power_law(fail_case *c) {
  static const double x[3] = {1, 2, 4}, y[3] = {1, 3, 5};
  return invman_fit_power_law(&c->ctx, x, y, 3, c->out, c->out + 1);
}
static invman_status do_median_power_law(fail_case *c) {
  static const double x[3] = {1, 2, 4}, y[6] = {1, 2, 3, 2, 5, 4};
  return invman_median_power_law(&c->ctx, x, y, 3, 2, 20, &c->rng, c->out, c->out + 1);
}
static invman_status do_neuron_ode(fail_case *c) {
  static const double start[4] = {1, 0.5, -0.3, 2}, t[2] = {0.1, 0.5};
  return invman_stripe_neuron_ode(&c->ctx, NULL, 0, 5, start, t, 2, c->out);
}
static invman_status do_noisy_ode(fail_case *c) {
  static const double start[5] = {1, 0.5, 0.2, -0.3, 2}, noise[4] = {0.01, 0.02, -0.01, 0}, t[2] = {0.1, 0.5};
  return invman_stripe_noisy_ode(&c->ctx, NULL, 0, 3, start, noise, t, 2, c->out);
}
static invman_status do_convnet_create(fail_case *c) {
  invman_convnet_options o = fail_shape();
  return invman_convnet_create(&c->ctx, &o, &c->rng, &c->conv_made);
}
static invman_status do_convnet_copy(fail_case *c) { return invman_convnet_copy(c->conv, &c->conv_made); }
static invman_status do_convnet_eval(fail_case *c) { return invman_convnet_eval(c->conv, fail_in.x, 20, c->out); }
static invman_status do_convnet_gradient(fail_case *c) {
  return invman_convnet_gradient(c->conv, fail_in.x, 20, fail_in.r, c->out);
}
static invman_status do_convnet_jacobian(fail_case *c) {
  return invman_convnet_jacobian(c->conv, fail_in.x, 5, c->out);
}
static invman_status do_convnet_ntk_gram(fail_case *c) {
  return invman_convnet_ntk_gram(c->conv, INVMAN_NTK_ALL, fail_in.x, 20, NULL, 0, c->out);
}
static invman_status do_convnet_ntk_gram_two(fail_case *c) {
  return invman_convnet_ntk_gram(c->conv, INVMAN_NTK_ALL, fail_in.x, 20, fail_in.x, 7, c->out);
}
static invman_status do_convnet_save(fail_case *c) { return invman_convnet_save(c->conv, fail_in.saved); }
static invman_status do_convnet_load(fail_case *c) { return invman_convnet_load(&c->ctx, fail_in.conv, &c->conv_made); }

/* ---- diagnostics: of the kernel, its eigenpairs, a network's weights, points */

static invman_status do_spectral_measures(fail_case *c) {
  invman_spectrum s;
  invman_status status = invman_spectral_measures(&c->ctx, fail_in.lambda, FAIL_P, 1, 0, &s);
  if (status >= 0) c->out[0] = s.entropy, c->out[1] = s.stable_rank;
  return status;
}
static invman_status do_von_neumann(fail_case *c) {
  return invman_von_neumann_entropy(&c->ctx, fail_in.K, FAIL_P, c->out);
}
static invman_status do_leverage(fail_case *c) {
  return invman_ridge_leverage(&c->ctx, fail_in.lambda, fail_in.U, FAIL_P, 0.3, c->out, c->out + FAIL_P);
}
static invman_status do_target_alignment(fail_case *c) {
  return invman_target_alignment(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, c->out);
}
static invman_status do_cumulative_power(fail_case *c) {
  return invman_cumulative_power(&c->ctx, fail_in.U, fail_in.q.train.y, FAIL_P, c->out);
}
static invman_status do_rkhs_norm(fail_case *c) {
  return invman_rkhs_norm(&c->ctx, fail_in.lambda, fail_in.U, fail_in.q.train.y, FAIL_P, 0, c->out, NULL);
}
static invman_status do_predictor(fail_case *c) {
  return invman_spectral_predictor(&c->ctx, fail_in.lambda, fail_in.U, fail_in.q.train.y, FAIL_P, 7, 0, fail_in.K, 9,
                                   c->out);
}
static invman_status do_nystrom(fail_case *c) {
  return invman_nystrom_extension(&c->ctx, fail_in.lambda, fail_in.U, FAIL_P, 7, fail_in.K, 9, c->out);
}
static invman_status do_centred_alignment(fail_case *c) {
  return invman_centred_alignment(&c->ctx, fail_in.K, fail_in.D, FAIL_P, 0, c->out);
}
static invman_status do_centred_alignment_top(fail_case *c) {
  return invman_centred_alignment(&c->ctx, fail_in.K, fail_in.U, FAIL_P, 5, c->out);
}
static invman_status do_principal_angles(fail_case *c) {
  invman_angles angles;
  invman_status status = invman_principal_angles(&c->ctx, fail_in.r, 1, fail_in.z, 2, FAIL_D, c->out, &angles);
  if (status >= 0) c->out[5] = angles.projection;
  return status;
}
static invman_status do_subspace_norms(fail_case *c) {
  return invman_subspace_norms(&c->ctx, fail_in.z, 2, FAIL_D, fail_in.q.train.x, 9, c->out, c->out + 9);
}
static invman_status do_weight_covariance(fail_case *c) {
  return invman_weight_covariance(&c->ctx, &c->net, 1, c->out);
}
static invman_status do_input_gradient(fail_case *c) {
  return invman_input_gradient(&c->ctx, &c->net, fail_in.q.train.x, FAIL_P, c->out);
}
static invman_status do_active_subspace(fail_case *c) {
  return invman_active_subspace(&c->ctx, fail_in.z, 9, FAIL_D, 1, c->out, c->out + 20, c->out + 30, c->out + 50);
}
static invman_status do_stein_moments(fail_case *c) {
  return invman_stein_moments(&c->ctx, &fail_in.q.train, c->out, c->out + 9);
}
static invman_status do_stein_directions(fail_case *c) {
  size_t found = 0;
  invman_status status =
      invman_stein_directions(&c->ctx, &fail_in.q.train, 3, &c->rng, c->out, c->out + 9, c->out + 30, &found);
  if (status >= 0) c->out[40] = (double)found;
  return status;
}
static invman_status do_pullback_metric(fail_case *c) {
  return invman_pullback_metric(&c->ctx, &c->net, fail_in.q.train.x, 5, 1, c->out, c->out + 50, c->out + 60);
}
static invman_status do_neural_collapse(fail_case *c) {
  invman_collapse collapse;
  invman_status status = invman_neural_collapse(&c->ctx, fail_in.K, fail_in.q.train.y, FAIL_P, &collapse);
  if (status >= 0) c->out[0] = collapse.nc1;
  else CHECK(collapse.nc1 == 0 && collapse.within == 0 && collapse.classes == 0);
  return status;
}
static invman_status do_kernel_distances(fail_case *c) {
  return invman_kernel_distances(&c->ctx, fail_in.K, FAIL_P, c->out);
}
static invman_status do_point_distances(fail_case *c) {
  return invman_point_distances(&c->ctx, fail_in.q.train.x, FAIL_P, FAIL_D, c->out);
}
static invman_status do_median_distance(fail_case *c) {
  return invman_median_distance(&c->ctx, fail_in.D, FAIL_P, c->out);
}
static invman_status do_two_nn(fail_case *c) {
  return invman_two_nn(&c->ctx, fail_in.D, FAIL_P, INVMAN_TWO_NN_FIT, c->out);
}
static invman_status do_local_dimension(fail_case *c) {
  return invman_local_dimension(&c->ctx, fail_in.D, FAIL_P, 5, INVMAN_LID_MLE, c->out, c->out + FAIL_P,
                                c->out + FAIL_P + 1);
}
static invman_status do_mst_length(fail_case *c) { return invman_mst_length(&c->ctx, fail_in.D, FAIL_P, c->out); }
static invman_status do_mst_dimension(fail_case *c) { return invman_mst_dimension(&c->ctx, fail_in.far_, 64, c->out); }
static invman_status do_diffusion_entropy(fail_case *c) {
  return invman_diffusion_entropy(&c->ctx, fail_in.D, FAIL_P, 1, 1, c->out);
}
static invman_status do_diffusion_information(fail_case *c) {
  return invman_diffusion_information(&c->ctx, fail_in.D, fail_in.q.train.y, FAIL_P, 1, 1, 2, &c->rng, c->out);
}
static invman_status do_hessian_spectrum(fail_case *c) {
  return invman_hessian_spectrum(&c->ctx, &c->net, &fail_in.q.train, NULL, c->out, c->out + FAIL_H);
}
static invman_status do_linear_regions(fail_case *c) {
  size_t count = 0;
  invman_status status = invman_linear_regions(&c->ctx, &c->net, fail_in.z, fail_in.z + FAIL_D, c->out, &count);
  if (status >= 0) c->out[FAIL_H] = (double)count;
  return status;
}
static invman_status do_activation_patterns(fail_case *c) {
  size_t count = 0;
  invman_status status = invman_activation_patterns(&c->ctx, &c->net, fail_in.q.train.x, FAIL_P, &count);
  if (status >= 0) c->out[0] = (double)count;
  return status;
}
static invman_status do_net_init_orthogonal(fail_case *c) {
  return invman_net_init_orthogonal(&c->ctx, 20, 3, &c->rng, &c->made);
}
static invman_status do_sinkhorn(fail_case *c) {
  return invman_sinkhorn(&c->ctx, fail_in.K, FAIL_P, 1, 0, 0, c->out, NULL);
}
static invman_status do_centred_singular_values(fail_case *c) {
  return invman_centred_singular_values(&c->ctx, fail_in.K, FAIL_P, c->out);
}
static invman_status do_mixing_measures(fail_case *c) {
  invman_mixing m;
  invman_status status = invman_mixing_measures(&c->ctx, fail_in.M, FAIL_P, &m);
  if (status >= 0) c->out[0] = m.sigma_2;
  return status;
}
static invman_status do_mix_with_identity(fail_case *c) {
  memcpy(c->out, fail_in.M, FAIL_P * FAIL_P * sizeof(double));
  return invman_mix_with_identity(&c->ctx, c->out, FAIL_P, 0.5);
}

/* ---- the table */

enum {
  FAIL_NO_MEMORY = 1, /* the call takes none */
  FAIL_IS_DEAD = 2,   /* a flow that failed is of no more use; what it trains is as before the failed step */
  FAIL_TRAINS = 4
}; /* what it trains has moved, step by step */

#ifdef INVMAN_USE_CBLAS
enum { FAIL_PRODUCT = FAIL_NO_MEMORY }; /* a matrix product takes memory, but for BLAS's */
#else
enum { FAIL_PRODUCT = 0 };
#endif

typedef struct fail_row {
  const char *name; /* without invman_ */
  void (*open)(fail_case *c);
  invman_status (*call)(fail_case *c);
  int flags;
} fail_row;

static const fail_row fail_table[] = {
    {"data_sample", NULL, do_data_sample, 0},
    {"data_read_csv", NULL, do_read_csv, 0},
    {"data_read_idx", NULL, do_read_idx, 0},
    {"net_init", NULL, do_net_init, 0},
    {"net_copy", open_net, do_net_copy, 0},
    {"net_eval", open_net, do_net_eval, 0},
    {"net_gradient", open_net, do_net_gradient, 0},
    {"net_gradient", open_grad, do_net_gradient, 0},
    {"net_save", open_net, do_net_save, 0},
    {"net_load", NULL, do_net_load, 0},
    {"file_create", NULL, do_file_create, 0},
    {"file_check", NULL, do_file_check, 0},
    {"train", open_net, do_train, FAIL_TRAINS},
    {"train", open_soft, do_train, FAIL_TRAINS},
    {"train", open_single, do_train, FAIL_TRAINS},
    {"flow_create", open_net, do_flow_create, 0},
    {"flow_create", open_single, do_flow_create, 0},
    {"flow_step", open_net_flow, do_flow_step, FAIL_IS_DEAD},
    {"flow_step", open_soft_flow, do_flow_step, FAIL_IS_DEAD},
    {"flow_step", open_chain_flow, do_flow_step, FAIL_IS_DEAD},
    {"flow_step", open_momentum_flow, do_flow_step, FAIL_NO_MEMORY},
    {"flow_run", open_net_flow, do_flow_run, FAIL_IS_DEAD | FAIL_TRAINS},
    {"flow_run", open_chain_flow, do_flow_run, FAIL_IS_DEAD | FAIL_TRAINS},
    {"flow_predict", open_trained, do_flow_predict, 0},
    {"flow_predict", open_chain_flow, do_flow_predict, 0},
    {"flow_save", open_trained, do_flow_save, 0},
    {"flow_save", open_chain_flow, do_flow_save, 0},
    {"flow_resume", open_net, do_flow_resume, 0},
    {"flow_resume", NULL, do_flow_resume_anew, 0},
    {"train_model", open_chain, do_train_model, FAIL_TRAINS},
    {"train_model", open_momentum, do_train_model, FAIL_TRAINS},
    {"train_model", open_conv, do_train_convnet, FAIL_TRAINS},
    {"model_check", open_chain, do_model_check, 0},
    {"flow_create_model", open_chain, do_flow_create_model, 0},
    {"flow_create_model", open_momentum, do_flow_create_model, 0},
    {"flow_resume_model", open_chain, do_flow_resume_model, 0},
    {"flow_resume_model", open_momentum, do_flow_resume_model, 0},
    {"ntk_gram", open_net, do_ntk_gram, 0},
    {"ntk_gram", open_net, do_ntk_gram_two, 0},
    {"ntk_gram_infinite", NULL, do_ntk_gram_infinite, FAIL_NO_MEMORY},
    {"ntk_gram_deep", NULL, do_ntk_gram_deep, FAIL_NO_MEMORY},
    {"rfm_train", NULL, do_rfm_train, 0},
    {"rfm_predict", NULL, do_rfm_predict, 0},
    {"kernel_agop", NULL, do_kernel_agop, 0},
    {"lazy_train", NULL, do_lazy_train, 0},
    {"lazy_train_columns", NULL, do_lazy_train_columns, 0},
    {"lazy_regression", NULL, do_lazy_regression, 0},
    {"box_qp", NULL, do_box_qp, 0},
    {"box_qp", NULL, do_box_qp_exactly, 0},
    {"eigh", open_kernel, do_eigh, 0},
    {"eigvalsh", NULL, do_eigvalsh, 0},
    {"eigh_top", NULL, do_eigh_top, 0},
    {"kernel_pca", NULL, do_kernel_pca, 0},
    {"kernel_pca", NULL, do_kernel_pca_few, 0},
    {"kernel_pca", NULL, do_kernel_pca_shares, 0},
    {"mutual_information", NULL, do_mi, 0},
    {"mutual_information", NULL, do_mi_wide, 0},
    {"mutual_information_null", NULL, do_mi_null, 0},
    {"intrinsic_dimension", NULL, do_intrinsic_dimension, 0},
    {"fit_power_law", NULL, do_power_law, FAIL_NO_MEMORY},
    {"median_power_law", NULL, do_median_power_law, 0},
    {"stripe_neuron_ode", NULL, do_neuron_ode, 0},
    {"stripe_noisy_ode", NULL, do_noisy_ode, 0},
    {"spectral_measures", NULL, do_spectral_measures, 0},
    {"von_neumann_entropy", NULL, do_von_neumann, 0},
    {"ridge_leverage", NULL, do_leverage, FAIL_NO_MEMORY},
    {"target_alignment", NULL, do_target_alignment, FAIL_NO_MEMORY},
    {"cumulative_power", NULL, do_cumulative_power, FAIL_NO_MEMORY},
    {"rkhs_norm", NULL, do_rkhs_norm, FAIL_NO_MEMORY},
    {"spectral_predictor", NULL, do_predictor, 0},
    {"nystrom_extension", NULL, do_nystrom, FAIL_PRODUCT},
    {"centred_alignment", NULL, do_centred_alignment, 0},
    {"centred_alignment", NULL, do_centred_alignment_top, 0},
    {"principal_angles", NULL, do_principal_angles, 0},
    {"subspace_norms", NULL, do_subspace_norms, 0},
    {"weight_covariance", open_net, do_weight_covariance, 0},
    {"input_gradient", open_net, do_input_gradient, FAIL_NO_MEMORY},
    {"active_subspace", NULL, do_active_subspace, 0},
    {"stein_moments", NULL, do_stein_moments, 0},
    {"stein_directions", NULL, do_stein_directions, 0},
    {"pullback_metric", open_net, do_pullback_metric, 0},
    {"neural_collapse", NULL, do_neural_collapse, 0},
    {"kernel_distances", NULL, do_kernel_distances, FAIL_NO_MEMORY},
    {"point_distances", NULL, do_point_distances, FAIL_NO_MEMORY},
    {"median_distance", NULL, do_median_distance, 0},
    {"two_nn", NULL, do_two_nn, 0},
    {"local_dimension", NULL, do_local_dimension, 0},
    {"mst_length", NULL, do_mst_length, 0},
    {"mst_dimension", NULL, do_mst_dimension, 0},
    {"diffusion_entropy", NULL, do_diffusion_entropy, 0},
    {"diffusion_information", NULL, do_diffusion_information, 0},
    {"hessian_spectrum", open_net, do_hessian_spectrum, 0},
    {"linear_regions", open_net, do_linear_regions, 0},
    {"activation_patterns", open_net, do_activation_patterns, 0},
    {"net_init_orthogonal", NULL, do_net_init_orthogonal, 0},
    {"sinkhorn", NULL, do_sinkhorn, 0},
    {"centred_singular_values", NULL, do_centred_singular_values, 0},
    {"mixing_measures", NULL, do_mixing_measures, 0},
    {"mix_with_identity", NULL, do_mix_with_identity, FAIL_NO_MEMORY},
    {"convnet_create", NULL, do_convnet_create, 0},
    {"convnet_copy", open_conv, do_convnet_copy, 0},
    {"convnet_eval", open_conv, do_convnet_eval, 0},
    {"convnet_gradient", open_conv, do_convnet_gradient, 0},
    {"convnet_jacobian", open_conv, do_convnet_jacobian, 0},
    {"convnet_ntk_gram", open_conv, do_convnet_ntk_gram, 0},
    {"convnet_ntk_gram", open_conv, do_convnet_ntk_gram_two, 0},
    {"convnet_save", open_conv, do_convnet_save, 0},
    {"convnet_load", NULL, do_convnet_load, 0},
};
enum { FAIL_ROWS = sizeof fail_table / sizeof *fail_table };

/* Functions with a context, or an object that has one, that are not in the table. */
static const char *const fail_exceptions[] = {
    "data_free",     "net_free",        "flow_free",      "convnet_free",      /* give memory back */
    "flow_get_info", "convnet_size",    "convnet_layers", "convnet_get_layer", /* tell what is there */
    "convnet_model", "convnet_weights",
};

/* Whether a function of the header takes a context, or an object that holds one. */
static int takes_context(const char *header, const char *name) {
  const char *at = header, *end;
  char call[80];
  size_t k;
  snprintf(call, sizeof call, "invman_%s(", name);
  while ((at = strstr(at, call)) && at > header && at[-1] != ' ' && at[-1] != '*') at++;
  end = at ? strchr(at, ';') : NULL;
  if (!end) {
    test_fail(__FILE__, __LINE__, "%s is not declared", name);
    return 0;
  }
  for (k = 0; k < 3; k++) {
    static const char *const types[3] = {"invman_context *", "invman_flow *", "invman_convnet *"};
    const char *type = strstr(at, types[k]);
    if (type && type < end) return 1;
  }
  return 0;
}

static void failures_table_is_complete(void) { /* every name of the index that takes a context */
  size_t size, names = 0, k;
  unsigned char *bytes = read_bytes(TEST_DIR "/../invman.h", &size);
  char *at, *end, *header = (char *)bytes;
  bytes[size] = 0;
  end = strstr(header, "#ifndef INVMAN_H");
  at = strstr(header, "   INDEX\n");
  CHECK(at && end && at < end && size < (1 << 20) - 1);
  while (at && at < end) {
    char name[64];
    size_t length = 0;
    int wanted, there = 0;
    while (at < end && strncmp(at, "invman_", 7) != 0 && strncmp(at, " _", 2) != 0) at++;
    if (at >= end) break;
    snprintf(name, sizeof name, "%s", at[0] == ' ' ? "flow_" : "");
    at += at[0] == ' ' ? 2 : 7;
    for (length = strlen(name); length < 63 && ((*at >= 'a' && *at <= 'z') || *at == '_'); at++) name[length++] = *at;
    name[length] = 0;
    names++;
    wanted = takes_context(end, name);
    for (k = 0; k < FAIL_ROWS; k++) there |= strcmp(fail_table[k].name, name) == 0;
    for (k = 0; k < sizeof fail_exceptions / sizeof *fail_exceptions; k++) there |= !strcmp(fail_exceptions[k], name);
    if (wanted && !there) test_fail(__FILE__, __LINE__, "no call of %s in the table", name);
  }
  CHECK(names > 60);
  free(bytes);
}

/* ---- every allocation */

/* What the call made, in numbers. */
static void fail_look(fail_case *c) {
  double *to = c->seen;
  size_t k;
  memset(c->seen, 0, sizeof c->seen);
  if (c->data.x) {
    *to++ = (double)c->data.n, *to++ = (double)c->data.d;
    for (k = 0; k < 20; k++) *to++ = c->data.x[c->data.n * c->data.d - 1 - k], *to++ = c->data.y[c->data.n - 1 - k];
  }
  if (c->made.w)
    for (k = 0; k < 20; k++) *to++ = c->made.w[k], *to++ = c->made.b[k], *to++ = c->made.beta[k];
  if (c->net.w)
    for (k = 0; k < 20; k++) *to++ = c->net.w[k], *to++ = c->net.b[k], *to++ = c->net.beta[k];
  if (c->model.w)
    for (k = 0; k < 20; k++) *to++ = c->model.w[k];
  if (c->conv)
    for (k = 0; k < 20; k++) *to++ = invman_convnet_weights(c->conv)[k];
  if (c->conv_made)
    for (k = 0; k < 20; k++) *to++ = invman_convnet_weights(c->conv_made)[k];
  if (c->flow) {
    const invman_flow_info *info = invman_flow_get_info(c->flow);
    *to++ = info->t, *to++ = (double)info->step, *to++ = info->margin_min;
    CHECK(invman_flow_predict(c->flow, fail_in.q.test.x, FAIL_P, to) == INVMAN_OK);
  }
  memcpy(c->seen + 8 * FAIL_P - 4, c->rng.state, sizeof c->rng.state);
}

/* As many steps of a flow of its own, without failures, as the one that failed has done. */
static void fail_compare_steps(fail_case *c, void (*open)(fail_case *)) {
  static fail_case other;
  size_t k, steps = invman_flow_get_info(c->flow)->step;
  fail_open(&other);
  open(&other);
  for (k = 0; k < steps; k++) fail_need(invman_flow_step(other.flow) >= 0);
  if (c->net.w) CHECK(same_net(&c->net, &other.net));
  if (c->model.w) CHECK(same_bits(c->model.w, other.model.w, c->model.size));
  fail_close(&other);
}

static int all_finite(const double *x, size_t n) { return invman_i_check_finite(NULL, x, n, "") == INVMAN_OK; }

/* After a failure: what is said, what is lost, what is left in the outputs and in what was there before. */
static void fail_check(const fail_row *row, fail_case *c, size_t blocks, const double *out, const invman_rng *rng) {
  size_t i;
  CHECK(c->error.what && strcmp(c->error.what, "out of memory") == 0);
  CHECK(c->error.unit && strcmp(c->error.unit, "bytes wanted") == 0 && c->error.place > 0);
  for (i = 0; i < FAIL_OUT && (c->out[i] == out[i] || c->out[i] == 0); i++) {}
  if (i < FAIL_OUT) test_fail(__FILE__, __LINE__, "output %lu is %g", (unsigned long)i, c->out[i]);
  CHECK(memcmp(rng, &c->rng, sizeof *rng) == 0);
  CHECK(c->data.x == NULL && c->data.y == NULL && c->data.n == 0 && c->conv_made == NULL);
  if (row->open != open_grad) CHECK(c->made.w == NULL && c->made.b == NULL && c->made.beta == NULL && c->made.h == 0);
  if (!(row->flags & FAIL_IS_DEAD)) CHECK(c->heap.blocks == blocks);
  if (c->net.w) CHECK(all_finite(c->net.w, FAIL_H * FAIL_D) && all_finite(c->net.beta, FAIL_H));
  if (c->model.w) CHECK(all_finite(c->model.w, c->model.size));
  if (c->net.w && !(row->flags & FAIL_TRAINS)) CHECK(same_net(&c->net, &c->kept));
  if (c->model.w && !(row->flags & FAIL_TRAINS)) CHECK(same_bits(c->model.w, c->weights, c->model.size));
  if (row->flags & FAIL_IS_DEAD) fail_compare_steps(c, row->open);
}

static int lowest_descriptor(void) { /* is higher where a file is left open */
#ifdef FAIL_POSIX
  int free_one = dup(1);
  close(free_one);
  return free_one;
#else
  return 0;
#endif
}

static void fail_allocations(const fail_row *row) {
  static fail_case whole, c;
  invman_status wanted, status;
  size_t k, calls, blocks;
  int once, before = test_failures, descriptor = lowest_descriptor();
  fail_open(&whole);
  if (row->open) row->open(&whole);
  calls = whole.heap.calls;
  wanted = row->call(&whole);
  calls = whole.heap.calls - calls;
  CHECK(wanted >= 0 && (calls > 0) == !(row->flags & FAIL_NO_MEMORY));
  fail_look(&whole);
  for (once = 0; once < 2; once++)
    for (k = 1; k <= calls && test_failures == before; k++) {
      static double out[FAIL_OUT];
      invman_rng rng;
      fail_open(&c);
      if (row->open) row->open(&c);
      memcpy(out, c.out, sizeof out);
      if (!(row->flags & FAIL_IS_DEAD) && c.flow) fail_keep(&c);
      rng = c.rng;
      blocks = c.heap.blocks;
      c.heap.once = once;
      c.heap.fail_at = c.heap.calls + k;
      status = row->call(&c);
      c.heap.fail_at = 0;
      CHECK(status == INVMAN_E_NOMEM);
      fail_check(row, &c, blocks, out, &rng);
      status = row->call(&c); /* once more, with all the memory that it wants */
      if (row->flags & FAIL_IS_DEAD) {
        CHECK(status < 0 && invman_flow_save(c.flow, fail_in.saved) < 0);
      } else {
        CHECK(status == wanted && same_bits(c.out, whole.out, FAIL_OUT));
        fail_look(&c);
        CHECK(same_bits(c.seen, whole.seen, 8 * FAIL_P));
      }
      fail_close(&c);
    }
  fail_close(&whole);
  CHECK(lowest_descriptor() == descriptor);
  if (test_failures > before)
    printf("  the above: invman_%s, allocation %lu of %lu\n", row->name, (unsigned long)k - 1, (unsigned long)calls);
}

static void fail_write_csv(const char *path) { /* larger than what is read at a time */
  FILE *file = fopen(path, "wb");
  size_t i;
  fail_need(file != NULL);
  for (i = 0; i < 4000; i++) fprintf(file, "%lu.5,-2.25,%lu,%d\n", (unsigned long)i, (unsigned long)i, i % 2 ? 1 : -1);
  fail_need(fclose(file) == 0);
}

static void fail_write_files(void) {
  static fail_case c;
  static unsigned char images[512], labels[64];
  size_t size = make_idx(images, labels, 30);
  fail_write_csv(fail_in.csv);
  write_bytes(fail_in.idx[0], images, size);
  write_bytes(fail_in.idx[1], labels, 38);
  fail_open(&c);
  open_trained(&c);
  fail_need(invman_net_save(NULL, &c.net, fail_in.net) == INVMAN_OK);
  fail_need(invman_flow_save(c.flow, fail_in.flow) == INVMAN_OK);
  fail_close(&c);
  fail_open(&c);
  open_chain_flow(&c);
  fail_need(invman_flow_run(c.flow) >= 0 && invman_flow_save(c.flow, fail_in.chain) == INVMAN_OK);
  fail_close(&c);
  fail_open(&c);
  open_momentum_flow(&c);
  fail_need(invman_flow_run(c.flow) >= 0 && invman_flow_save(c.flow, fail_in.momentum) == INVMAN_OK);
  fail_close(&c);
  fail_open(&c);
  open_conv(&c);
  fail_need(invman_convnet_save(c.conv, fail_in.conv) == INVMAN_OK);
  fail_close(&c);
}

static void fail_diagnostics(void) {
  double *x = normals(2 * 64, 4);
  fail_in.lambda = (double *)malloc(FAIL_P * sizeof(double));
  fail_in.U = (double *)malloc(FAIL_P * FAIL_P * sizeof(double));
  fail_in.D = (double *)malloc(FAIL_P * FAIL_P * sizeof(double));
  fail_in.M = (double *)malloc(FAIL_P * FAIL_P * sizeof(double));
  fail_in.far_ = (double *)malloc(64 * 64 * sizeof(double));
  memcpy(fail_in.U, fail_in.K, FAIL_P * FAIL_P * sizeof(double));
  fail_need(invman_eigh(NULL, FAIL_P, fail_in.U, fail_in.lambda) == INVMAN_OK);
  fail_need(invman_kernel_distances(NULL, fail_in.K, FAIL_P, fail_in.D) == INVMAN_OK);
  fail_need(invman_point_distances(NULL, x, 64, 2, fail_in.far_) == INVMAN_OK);
  fail_need(invman_sinkhorn(NULL, fail_in.K, FAIL_P, 1, 0, 0, fail_in.M, NULL) == INVMAN_OK);
  free(x);
}

static void fail_inputs(void) {
  size_t i;
  fail_in.q = make_problem(INVMAN_STRIPE, FAIL_D, FAIL_P, FAIL_H, 5);
  fail_in.q.test.n = FAIL_P;
  fail_in.model = toy_make(TOY_SWISH, FAIL_D, 10, 6);
  fail_in.K = (double *)malloc(FAIL_P * FAIL_P * sizeof(double));
  fail_need(invman_ntk_gram_infinite(NULL, FAIL_D, INVMAN_NTK_ALL, fail_in.q.train.x, FAIL_P, NULL, 0, fail_in.K) == 0);
  fail_diagnostics();
  fail_in.x = normals(6 * 20, 7);
  fail_in.z = normals(FAIL_D * 9, 8);
  fail_in.r = normals(FAIL_P, 9);
  for (i = 0; i < FAIL_D * FAIL_D; i++) fail_in.metric[i] = i % (FAIL_D + 1) == 0 ? 1 : 0.5;
  snprintf(fail_in.csv, 512, "%s/fail.csv", test_dir);
  for (i = 0; i < 2; i++) snprintf(fail_in.idx[i], 512, "%s/fail.idx%d", test_dir, (int)i);
  snprintf(fail_in.net, 512, "%s/fail.net", test_dir);
  snprintf(fail_in.flow, 512, "%s/fail.flow", test_dir);
  snprintf(fail_in.chain, 512, "%s/fail.chain", test_dir);
  snprintf(fail_in.momentum, 512, "%s/fail.momentum", test_dir);
  snprintf(fail_in.conv, 512, "%s/fail.conv", test_dir);
  snprintf(fail_in.saved, 512, "%s/fail.saved", test_dir);
  fail_write_files();
}

static void fail_free_inputs(void) {
  free_problem(&fail_in.q);
  free(fail_in.lambda), free(fail_in.U), free(fail_in.D), free(fail_in.far_), free(fail_in.M);
  free(fail_in.model.w), free(fail_in.K), free(fail_in.x), free(fail_in.z), free(fail_in.r);
}

static void failures_of_allocations(void) {
  size_t k;
  fail_inputs();
  for (k = 0; k < FAIL_ROWS; k++) fail_allocations(&fail_table[k]);
  CHECK(left_beside(fail_in.saved) == 0);
  fail_free_inputs();
}

/* ---- every byte of a file */

typedef struct fail_file {
  const char *name;
  invman_status (*save)(size_t which, const char *path);              /* one of two objects; NULL: a text */
  invman_status (*load)(const invman_context *ctx, const char *path); /* checks that a failed call leaves nothing */
} fail_file;

static struct {
  invman_error error;
  invman_net net[2], wide[2];
  test_problem q;
  invman_flow *flow[2], *model_flow[2];
  invman_convnet *conv[2];
  toy model;
  invman_model callbacks;
  invman_flow_options o, model_o;
  invman_net trained;
  char beside[512]; /* the other file that a reader of two wants */
} fail_disk;

static invman_context fail_disk_context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.error = &fail_disk.error;
  return ctx;
}

static invman_status save_net(size_t which, const char *path) {
  invman_context ctx = fail_disk_context();
  return invman_net_save(&ctx, &fail_disk.net[which], path);
}
static invman_status save_wide(size_t which, const char *path) { /* more than a buffer of stdio's */
  invman_context ctx = fail_disk_context();
  return invman_net_save(&ctx, &fail_disk.wide[which], path);
}
static invman_status save_flow(size_t which, const char *path) { return invman_flow_save(fail_disk.flow[which], path); }
static invman_status save_model_flow(size_t which, const char *path) {
  return invman_flow_save(fail_disk.model_flow[which], path);
}
static invman_status save_conv(size_t which, const char *path) {
  return invman_convnet_save(fail_disk.conv[which], path);
}

static invman_status load_net(const invman_context *ctx, const char *path) {
  invman_net net;
  invman_status status = invman_net_load(ctx, path, &net);
  if (status < 0) CHECK(net.h == 0 && net.d == 0 && !net.w && !net.b && !net.beta);
  invman_net_free(ctx, &net);
  return status;
}
static invman_status load_flow(const invman_context *ctx, const char *path) {
  invman_flow *flow = fail_disk.flow[0];
  invman_net made, kept = fail_disk.trained;
  invman_status status, again;
  memset(&made, 0, sizeof made);
  status = invman_flow_resume(ctx, path, &made, &fail_disk.q.train, &fail_disk.o, &flow);
  if (status < 0) CHECK(!flow && made.h == 0 && !made.w && !made.b && !made.beta);
  invman_flow_free(flow);
  invman_net_free(ctx, &made);
  invman_net_copy(NULL, &fail_disk.trained, &kept);
  again = invman_flow_resume(ctx, path, &kept, &fail_disk.q.train, &fail_disk.o, &flow);
  CHECK(again == status && (status >= 0 || (!flow && same_net(&kept, &fail_disk.trained))));
  invman_flow_free(flow);
  invman_net_free(NULL, &kept);
  return status;
}
static invman_status load_model_flow(const invman_context *ctx, const char *path) {
  invman_flow *flow = fail_disk.flow[0];
  double kept[64];
  invman_status status;
  memcpy(kept, fail_disk.model.w, fail_disk.model.size * sizeof(double));
  status = invman_flow_resume_model(ctx, path, &fail_disk.callbacks, &fail_disk.q.train, &fail_disk.model_o, &flow);
  if (status < 0) CHECK(!flow && same_bits(kept, fail_disk.model.w, fail_disk.model.size));
  invman_flow_free(flow);
  memcpy(fail_disk.model.w, kept, fail_disk.model.size * sizeof(double));
  return status;
}
static invman_status load_conv(const invman_context *ctx, const char *path) {
  invman_convnet *net = fail_disk.conv[0];
  invman_status status = invman_convnet_load(ctx, path, &net);
  if (status < 0) CHECK(!net);
  invman_convnet_free(net);
  return status;
}
static invman_status loaded_data(const invman_context *ctx, invman_status status, invman_data *data) {
  if (status < 0) CHECK(data->n == 0 && data->d == 0 && !data->x && !data->y);
  invman_data_free(ctx, data);
  return status;
}
static invman_status load_images(const invman_context *ctx, const char *path) {
  invman_data data;
  return loaded_data(ctx, invman_data_read_idx(ctx, path, fail_disk.beside, NULL, &data), &data);
}
static invman_status load_labels(const invman_context *ctx, const char *path) {
  invman_data data;
  return loaded_data(ctx, invman_data_read_idx(ctx, fail_disk.beside, path, NULL, &data), &data);
}

static const fail_file fail_files[] = {{"net", save_net, load_net},
                                       {"wide", save_wide, load_net},
                                       {"flow", save_flow, load_flow},
                                       {"model flow", save_model_flow, load_model_flow},
                                       {"convnet", save_conv, load_conv}};
enum { FAIL_FILES = sizeof fail_files / sizeof *fail_files };

static void fail_disk_open(void) {
  invman_context ctx = fail_disk_context();
  invman_convnet_options shape = fail_shape();
  size_t k;
  memset(&fail_disk, 0, sizeof fail_disk);
  fail_disk.q = make_problem(INVMAN_STRIPE, 2, 5, 4, 15);
  fail_disk.o = fail_disk.model_o = no_options();
  fail_disk.model_o.alpha = 0.1;
  fail_disk.model = toy_make(TOY_SWISH, 2, 4, 3);
  fail_disk.callbacks = toy_model(&fail_disk.model);
  fail_disk.callbacks.user = &fail_disk.model;
  fail_need(invman_net_copy(NULL, &fail_disk.q.net, &fail_disk.trained) == INVMAN_OK);
  for (k = 0; k < 2; k++) { /* the same file at two times, or of two seeds */
    invman_data *train = &fail_disk.q.train;
    fail_disk.net[k] = random_net(3, 2, k + 1);
    fail_disk.wide[k] = random_net(150, 9, k + 1);
    fail_disk.conv[k] = make_convnet(&ctx, &shape, k + 1);
    fail_need(invman_flow_create(&ctx, &fail_disk.trained, train, &fail_disk.o, &fail_disk.flow[k]) == INVMAN_OK);
    fail_need(invman_flow_step(fail_disk.flow[k]) >= 0 && invman_flow_step(fail_disk.flow[k]) >= 0);
    fail_need(invman_flow_create_model(&ctx, &fail_disk.callbacks, train, &fail_disk.model_o,
                                       &fail_disk.model_flow[k]) == INVMAN_OK);
    fail_need(invman_flow_step(fail_disk.model_flow[k]) >= 0);
  }
  memset(&fail_disk.error, 0, sizeof fail_disk.error);
}

static void fail_disk_close(void) {
  size_t k;
  for (k = 0; k < 2; k++) {
    invman_net_free(NULL, &fail_disk.net[k]);
    invman_net_free(NULL, &fail_disk.wide[k]);
    invman_convnet_free(fail_disk.conv[k]);
    invman_flow_free(fail_disk.flow[k]);
    invman_flow_free(fail_disk.model_flow[k]);
  }
  invman_net_free(NULL, &fail_disk.trained);
  free(fail_disk.model.w);
  free_problem(&fail_disk.q);
}

static int file_holds(const char *path, const unsigned char *bytes, size_t size) {
  size_t now = 0;
  unsigned char *held = file_exists(path) ? read_bytes(path, &now) : NULL;
  int same = held && now == size && memcmp(held, bytes, size) == 0;
  free(held);
  return same;
}

/* A save over the file that holds `old`, which must fail and leave it. */
static void fail_save(const fail_file *file, invman_status status, const char *path, const unsigned char *old,
                      size_t size) {
  CHECK(status == INVMAN_E_IO && fail_disk.error.what && strstr(fail_disk.error.what, "the file cannot be"));
  CHECK(file_holds(path, old, size) && left_beside(path) == 0);
  if (test_failures > 0) printf("  the above: %s\n", file->name);
  memset(&fail_disk.error, 0, sizeof fail_disk.error);
}

#ifdef FAIL_POSIX

static invman_status save_limited(const fail_file *file, const char *path, size_t limit) {
  struct rlimit was, low;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  invman_status status;
  fail_need(getrlimit(RLIMIT_FSIZE, &was) == 0);
  low = was;
  low.rlim_cur = (rlim_t)limit;
  fflush(NULL); /* what this program prints may go to a file too */
  fail_need(setrlimit(RLIMIT_FSIZE, &low) == 0);
  status = file->save(1, path);
  fail_need(setrlimit(RLIMIT_FSIZE, &was) == 0);
  signal(SIGXFSZ, handler);
  return status;
}

static void failures_of_writes(void) { /* the disk is full at every byte */
  size_t k, limit, size, size_new;
  char path[512], fresh[512];
  snprintf(path, sizeof path, "%s", in_test_dir("fail.full"));
  snprintf(fresh, sizeof fresh, "%s", in_test_dir("fail.fresh"));
  fail_disk_open();
  for (k = 0; k < FAIL_FILES && test_failures == 0; k++) {
    unsigned char *old, *bytes;
    size_t step = fail_files[k].save == save_wide ? 61 : 1;
    fail_need(fail_files[k].save(0, path) == INVMAN_OK && fail_files[k].save(1, fresh) == INVMAN_OK);
    old = read_bytes(path, &size);
    bytes = read_bytes(fresh, &size_new);
    for (limit = 0; limit < size_new && test_failures == 0; limit += limit + step < size_new ? step : 1)
      fail_save(&fail_files[k], save_limited(&fail_files[k], path, limit), path, old, size);
    CHECK(save_limited(&fail_files[k], path, size_new) == INVMAN_OK && file_holds(path, bytes, size_new));
    free(old), free(bytes);
  }
  fail_disk_close();
}

static void failures_of_devices(void) { /* a device that takes nothing, in the place of the file: it stays */
  size_t k;
  char path[512];
  if (!make_device(path, "fail.device", 7)) return;
  fail_disk_open();
  for (k = 0; k < FAIL_FILES; k++) {
    struct stat device;
    CHECK(fail_files[k].save(1, path) == INVMAN_E_IO && fail_disk.error.what);
    CHECK(strcmp(fail_disk.error.what, "the file cannot be written: the disk is full") == 0);
    CHECK(lstat(path, &device) == 0 && S_ISCHR(device.st_mode) && left_beside(path) == 0);
    memset(&fail_disk.error, 0, sizeof fail_disk.error);
  }
  fail_disk_close();
}

static void failures_of_directories(void) { /* one without permission to write, and a name that a directory has */
  size_t k, size;
  char path[600], directory[512], inside[600];
  snprintf(directory, sizeof directory, "%s", in_test_dir("fail.directory"));
  snprintf(path, sizeof path, "%s/a", directory);
  snprintf(inside, sizeof inside, "%s/taken", directory);
  fail_need(mkdir(directory, 0755) == 0 || chmod(directory, 0755) == 0);
  fail_need(mkdir(inside, 0755) == 0 || chmod(inside, 0755) == 0);
  fail_disk_open();
  for (k = 0; k < FAIL_FILES; k++) {
    unsigned char *old;
    invman_status status;
    CHECK(fail_files[k].save(0, inside) == INVMAN_E_IO && fail_disk.error.what && left_beside(inside) == 0);
    fail_need(fail_files[k].save(0, path) == INVMAN_OK);
    old = read_bytes(path, &size);
    fail_need(chmod(directory, 0555) == 0);
    if (geteuid() == 0) { /* to whom permissions mean nothing */
      fail_need(seteuid(65534) == 0);
      status = fail_files[k].save(1, path);
      fail_need(seteuid(0) == 0);
    } else {
      status = fail_files[k].save(1, path);
    }
    fail_need(chmod(directory, 0755) == 0);
    fail_save(&fail_files[k], status, path, old, size);
    free(old);
  }
  fail_disk_close();
}

#else

static void failures_of_writes(void) { test_skip("no setrlimit on this system"); }
static void failures_of_devices(void) { test_skip("no symbolic links on this system"); }
static void failures_of_directories(void) { test_skip("no permissions of directories on this system"); }

#endif

/* A new file: some file systems wait for the disk where an old one is cut short. */
static void write_new(const char *path, const void *bytes, size_t size) {
  remove(path);
  write_bytes(path, bytes, size);
}

/* Loads a file that is not whole: where it is wrong is said, nothing is lost. */
static void fail_load(const fail_file *file, const char *path, size_t size, const char *unit) {
  test_heap heap;
  invman_context ctx = test_context(&heap);
  invman_error error;
  invman_status status;
  memset(&error, 0, sizeof error);
  ctx.error = &error;
  status = file->load(&ctx, path);
  CHECK(status == INVMAN_E_FORMAT && heap.blocks == 0 && heap.now == 0);
  CHECK(error.what && error.unit && strcmp(error.unit, unit) == 0 && error.place <= size);
  if (test_failures > 0) printf("  the above: %s, %lu bytes\n", file->name, (unsigned long)size);
}

/* Cut after every byte, and longer than it should be; as such, and under a checksum that is right. */
static void failures_of_reads(void) {
  size_t k, cut, size;
  char whole[512], bad[512];
  snprintf(whole, sizeof whole, "%s", in_test_dir("fail.whole"));
  snprintf(bad, sizeof bad, "%s", in_test_dir("fail.bad"));
  fail_disk_open();
  for (k = 0; k < FAIL_FILES && test_failures == 0; k++) {
    const fail_file *file = &fail_files[k];
    unsigned char *bytes, *sealed;
    size_t step = file->save == save_wide ? 61 : 1;
    fail_need(file->save(0, whole) == INVMAN_OK);
    CHECK(file->load(NULL, whole) >= 0);
    bytes = read_bytes(whole, &size);
    sealed = (unsigned char *)calloc(size + 64, 1);
    memset(bytes + size, 0, 64); /* read_bytes leaves room */
    for (cut = 0; cut < size + 24 && test_failures == 0; cut += step) {
      if (cut == size) continue;
      write_new(bad, bytes, cut);
      fail_load(file, bad, cut, "byte");
      if (cut < 24) continue;
      memcpy(sealed, bytes, size);
      memset(sealed + size - 8, 0, 8 + 64);
      remove(bad);
      write_sealed(bad, sealed, cut);
      fail_load(file, bad, cut, "byte");
    }
    free(bytes), free(sealed);
  }
  fail_disk_close();
}

static void failures_of_reading_images(void) {
  static const fail_file files[2] = {{"images", NULL, load_images}, {"labels", NULL, load_labels}};
  static unsigned char bytes[2][512];
  size_t n = 20, size[2], k, cut;
  char bad[512];
  memset(bytes, 0, sizeof bytes);
  size[0] = make_idx(bytes[0], bytes[1], n);
  size[1] = 8 + n;
  snprintf(bad, sizeof bad, "%s", in_test_dir("fail.bad"));
  snprintf(fail_disk.beside, sizeof fail_disk.beside, "%s", in_test_dir("fail.beside"));
  for (k = 0; k < 2; k++) {
    write_new(fail_disk.beside, bytes[1 - k], size[1 - k]);
    for (cut = 0; cut <= size[k] + 8; cut++) {
      if (cut == size[k]) continue;
      write_new(bad, bytes[k], cut);
      fail_load(&files[k], bad, cut, "byte");
    }
  }
}

static void failures_of_reading_csv(void) { /* a text that ends with a whole line is whole */
  static const char text[] = "x,y,label\n2.5,-2e1,1\n# so far\n3.25,17.5,-1\n\n-4.5,0.5,1\n";
  size_t size = sizeof text - 1, cut;
  for (cut = 0; cut <= size + 1; cut++) {
    test_heap heap;
    invman_context ctx = test_context(&heap);
    invman_error error;
    invman_data data;
    invman_status status;
    char bytes[80];
    size_t lines = 1, k, points = 0;
    int broken = 0;
    memcpy(bytes, text, size);
    bytes[size] = '7'; /* and one more */
    write_new(in_test_dir("fail.bad"), bytes, cut);
    for (k = 0; k < cut; k++) lines += bytes[k] == '\n';
    for (k = 0; k < cut; k++) points += k + 1 < size && strchr("1", text[k]) && text[k + 1] == '\n';
    broken = cut > size || (cut > 10 && cut < size && text[cut] != '\n' && text[cut - 1] != '\n' && lines != 3);
    memset(&error, 0, sizeof error);
    ctx.error = &error;
    status = invman_data_read_csv(&ctx, in_test_dir("fail.bad"), &data);
    if (broken || points == 0) {
      CHECK(status == INVMAN_E_FORMAT && data.n == 0 && data.d == 0 && !data.x && !data.y);
      CHECK(error.unit && strcmp(error.unit, "line") == 0);
      CHECK(error.place == lines + (!broken && cut > 0 && bytes[cut - 1] != '\n')); /* the end is a line of its own */
    } else {
      CHECK(status == INVMAN_OK && data.n == points && data.d == 2 && data.x[0] == 2.5);
    }
    if (test_failures > 0) printf("  the above: %lu bytes\n", (unsigned long)cut);
    invman_data_free(&ctx, &data);
    CHECK(heap.blocks == 0);
  }
}

static void failures_tests(void) {
  RUN(failures_table_is_complete);
  RUN(failures_of_allocations);
  RUN(failures_of_writes);
  RUN(failures_of_devices);
  RUN(failures_of_directories);
  RUN(failures_of_reads);
  RUN(failures_of_reading_images);
  RUN(failures_of_reading_csv);
}
