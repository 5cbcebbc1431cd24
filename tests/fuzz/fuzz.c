/* Every reader, and the library's calls, with any bytes: under libFuzzer (make fuzz), which of them by the environment's
   FUZZ. With FUZZ_MAIN an ordinary program, without libFuzzer:
     fuzz NAME FILE...     runs the files
     fuzz --make DIRECTORY writes the first corpus, DIRECTORY/NAME/...
   An input's first bytes are its mode; for files with a checksum an odd one says that it is to be put right. What must
   hold: no sanitizer complains, memory in proportion to the input and none lost, and statuses that are true. */
#define _POSIX_C_SOURCE 200809L
#define INVMAN_IMPLEMENTATION
#include "../../invman.h"
#include <unistd.h>

#define REQUIRE(condition)                                                      \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                  \
    }                                                                           \
  } while (0)

/* ---- memory: what is asked for is counted, and more than a share of the input's length is a fault */

static size_t heap_blocks, heap_limit;

static void *heap_alloc(size_t bytes, void *user) {
  (void)user;
  REQUIRE(bytes <= heap_limit);
  heap_blocks++;
  return malloc(bytes);
}

static void heap_release(void *block, size_t bytes, void *user) {
  (void)user;
  (void)bytes;
  heap_blocks--;
  free(block);
}

static invman_context context(size_t limit) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  ctx.alloc = heap_alloc;
  ctx.release = heap_release;
  heap_blocks = 0;
  heap_limit = limit;
  return ctx;
}

/* ---- the input as bytes, choices and numbers */

typedef struct input {
  const uint8_t *at, *end;
} input;

static unsigned byte(input *in) { return in->at < in->end ? *in->at++ : 0; }
static size_t below(input *in, size_t n) { return byte(in) % n; }

static double number(input *in) {
  static const double edge[] = {0,      -0.0,    1,       -1,      1e300, -1e300, 1e-300, -1e-300,
                                5e-324, -5e-324, DBL_MIN, DBL_MAX, 1e154, 1e-154, 1e-16,  1e16};
  unsigned kind = byte(in);
  uint64_t bits = 0;
  double value;
  int k;
  if (kind < 192) return ((double)kind - 96) / 32; /* mostly common ones, often equal */
  if (kind < 192 + 16) return edge[kind - 192];
  if (kind < 208 + 24) return ((double)byte(in) - 128) * pow(2, (double)byte(in) - 128);
  for (k = 0; k < 8; k++) bits = bits << 8 | byte(in);
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void numbers(input *in, double *x, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) x[i] = number(in);
}

static double largest(const double *x, size_t n) { /* NaN and infinity: infinity */
  double most = 0;
  size_t i;
  for (i = 0; i < n; i++) most = invman_i_isfinite(x[i]) ? fmax(most, fabs(x[i])) : HUGE_VAL;
  return most;
}

static int finite_all(const double *x, size_t n) { return invman_i_isfinite(largest(x, n)); }

static int no_nan(const double *x, size_t n) {
  size_t i;
  for (i = 0; i < n; i++)
    if (x[i] != x[i]) return 0;
  return 1;
}

/* n points of d coordinates, some of them equal, the labels any, all equal or all but one. */
static void points(input *in, invman_data *data, double *x, double *y, size_t n, size_t d) {
  size_t i, kind = below(in, 4);
  data->n = n;
  data->d = d;
  data->x = x;
  data->y = y;
  numbers(in, x, n * d);
  for (i = 0; i < n; i++) y[i] = kind == 0 ? (i == 0 ? -1 : 1) : kind == 1 ? (i % 2 ? -1 : 1) : byte(in) % 2 ? -1 : 1;
  if (kind == 3 && n > 1) memcpy(x + (n - 1) * d, x, d * sizeof *x);
}

#define FNV_START UINT64_C(0xcbf29ce484222325)

/* ---- files */

static const char *file_name(int which) {
  static char name[2][512];
  const char *directory = getenv("TMPDIR");
  if (!name[which][0])
    snprintf(name[which], sizeof name[which], "%s/invman_fuzz_%ld_%d", directory && *directory ? directory : "/tmp",
             (long)getpid(), which);
  return name[which];
}

static const char *file_of(int which, const uint8_t *bytes, size_t n) {
  FILE *file = fopen(file_name(which), "wb");
  REQUIRE(file && fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
  return file_name(which);
}

static void remove_files(void) {
  remove(file_name(0));
  remove(file_name(1));
}

/* The rest of the input as a file, its checksum made right where the mode is odd. */
static const char *checked_file(input in, unsigned mode) {
  size_t n = (size_t)(in.end - in.at), k;
  uint8_t *bytes = (uint8_t *)malloc(n + 1);
  const char *name;
  REQUIRE(bytes != NULL);
  if (n > 0) memcpy(bytes, in.at, n);
  if (mode % 2 && n >= 8) {
    uint64_t hash = invman_i_fnv(FNV_START, bytes, n - 8);
    for (k = 0; k < 8; k++) bytes[n - 8 + k] = (uint8_t)(hash >> 8 * k & 255);
  }
  name = file_of(0, bytes, n);
  free(bytes);
  return name;
}

/* ---- readers */

static void check_data(const invman_data *data, invman_status status) {
  size_t i;
  if (status < 0) {
    REQUIRE(data->n == 0 && !data->x && !data->y && heap_blocks == 0);
    return;
  }
  REQUIRE(status == INVMAN_OK && data->n > 0 && data->d > 0 && finite_all(data->x, data->n * data->d));
  for (i = 0; i < data->n; i++) REQUIRE(data->y[i] == 1 || data->y[i] == -1);
}

static void fuzz_csv(input in) {
  size_t n = (size_t)(in.end - in.at);
  invman_context ctx = context((1 << 18) + 16 * n);
  invman_data data;
  check_data(&data, invman_data_read_csv(&ctx, file_of(0, in.at, n), &data));
  invman_data_free(&ctx, &data);
  REQUIRE(heap_blocks == 0);
}

static int by_rule(int digit, void *user) { return digit > 250 ? 2 : *(int *)user == 1 ? digit % 3 - 1 : 0; }

static void fuzz_idx(input in) { /* mode, length of the labels' file, labels, images */
  size_t all = (size_t)(in.end - in.at), shape[3] = {0, 0, 0}, labels;
  invman_context ctx = context((1 << 18) + 16 * all);
  unsigned mode = byte(&in);
  int rule = (int)(mode >> 4 & 3);
  invman_idx_options o;
  invman_data data;
  invman_status status;
  const char *name;
  memset(&o, 0, sizeof o);
  o.centre = mode & 1;
  o.limit = mode >> 1 & 3;
  if (rule > 0) o.label = by_rule;
  o.user = &rule;
  o.shape = shape;
  labels = invman_i_min(byte(&in), (size_t)(in.end - in.at));
  name = file_of(1, in.at, labels);
  in.at += labels;
  status = invman_data_read_idx(&ctx, file_of(0, in.at, (size_t)(in.end - in.at)), name, &o, &data);
  check_data(&data, status);
  if (status == INVMAN_OK) REQUIRE(shape[0] * shape[1] * shape[2] == data.d && (o.limit == 0 || data.n <= o.limit));
  invman_data_free(&ctx, &data);
  REQUIRE(heap_blocks == 0);
}

static void check_net(const invman_net *net) {
  REQUIRE(net->h > 0 && net->d > 0 && finite_all(net->w, net->h * net->d) && finite_all(net->b, net->h) &&
          finite_all(net->beta, net->h));
}

static void fuzz_net(input in) {
  invman_context ctx = context((1 << 18) + 16 * (size_t)(in.end - in.at));
  unsigned mode = byte(&in);
  invman_net net;
  invman_status status = invman_net_load(&ctx, checked_file(in, mode), &net);
  if (status < 0) REQUIRE(!net.w && heap_blocks == 0);
  else check_net(&net);
  invman_net_free(&ctx, &net);
  REQUIRE(heap_blocks == 0);
}

static void fuzz_conv(input in) {
  invman_context ctx = context((1 << 18) + 256 * (size_t)(in.end - in.at));
  unsigned mode = byte(&in);
  invman_convnet *net;
  invman_convnet_layer layer;
  size_t k;
  invman_status status = invman_convnet_load(&ctx, checked_file(in, mode), &net);
  if (status < 0) {
    REQUIRE(!net && heap_blocks == 0);
    return;
  }
  REQUIRE(invman_convnet_size(net) > 0 && finite_all(invman_convnet_weights(net), invman_convnet_size(net)));
  for (k = 0; k < invman_convnet_layers(net); k++)
    REQUIRE(invman_convnet_get_layer(net, k, &layer) == INVMAN_OK && layer.weights > 0 &&
            layer.first + layer.weights < invman_convnet_size(net));
  invman_convnet_free(net);
  REQUIRE(heap_blocks == 0);
}

/* ---- flows: a status says what info.end says, and that is so */

static void check_flow(const invman_flow *flow, const invman_data *train, int forged, invman_status status) {
  const invman_flow_info *info = invman_flow_get_info(flow);
  static const invman_status meant[] = {INVMAN_STOPPED, INVMAN_OK,      INVMAN_STOPPED,       INVMAN_STOPPED,
                                        INVMAN_STOPPED, INVMAN_STOPPED, INVMAN_NOT_SEPARABLE, INVMAN_NOT_CONVERGED};
  const invman_net *net = flow->shown; /* NULL: a model's flow */
  double F[16], stop = flow->options.margin_stop, scale = 0;
  size_t i, n;
  if (status < 0) return;
  REQUIRE(info->status == status && info->end >= 0 && info->end <= INVMAN_END_ROUNDING && meant[info->end] == status);
  REQUIRE(info->t >= 0 && invman_i_isfinite(info->t) && invman_i_isfinite(info->dt));
  REQUIRE(info->loss >= 0 && invman_i_isfinite(info->margin_min) && info->lambda >= 0 && info->unsatisfied <= train->n);
  if (net) check_net(net);
  if (info->end != INVMAN_END_SATISFIED) return;
  REQUIRE(info->unsatisfied == 0 && info->margin_min >= 1 - stop);
  if (forged) return;
  for (n = 0; net && n < net->h; n++) { /* rounding of F: alpha times that of f */
    double z = fabs(net->b[n]) + largest(net->w + n * train->d, train->d) * 4 * largest(train->x, train->n * train->d);
    scale += fabs(net->beta[n]) * z;
  }
  REQUIRE(invman_flow_predict(flow, train->x, train->n, F) == INVMAN_OK);
  for (i = 0; i < train->n; i++) REQUIRE(train->y[i] * F[i] >= 1 - stop - 1e-9 - 1e-12 * flow->options.alpha * scale);
}

/* f = w.x, N = d: the smallest model there is. */
typedef struct linear {
  double w[4];
  size_t d;
} linear;

static invman_status linear_evaluate(const double *x, size_t n, double *f, void *user) {
  const linear *model = (const linear *)user;
  size_t i;
  for (i = 0; i < n; i++) f[i] = invman_i_inner(model->w, x + i * model->d, model->d);
  return INVMAN_OK;
}
static invman_status linear_gradient(const double *x, size_t n, const double *r, double *G, void *user) {
  const linear *model = (const linear *)user;
  size_t i, k;
  for (k = 0; k < model->d; k++) G[k] = 0;
  for (i = 0; i < n * model->d; i++) G[i % model->d] += r[i / model->d] * x[i];
  return INVMAN_OK;
}
static invman_status linear_gram(const double *x, size_t n, double *K, void *user) {
  const linear *model = (const linear *)user;
  size_t i;
  for (i = 0; i < n * n; i++) K[i] = invman_i_inner(x + i / n * model->d, x + i % n * model->d, model->d);
  return INVMAN_OK;
}

static invman_model model_of(linear *state) {
  invman_model model;
  memset(&model, 0, sizeof model);
  model.size = state->d;
  model.weights = state->w;
  model.evaluate = linear_evaluate;
  model.gradient = linear_gradient;
  model.gram = linear_gram;
  model.user = state;
  return model;
}

/* What the corpus's flows were made with. */
static double fixed_x[] = {0.5, 1, -1, 0.25, 1.5, -0.5, -0.75, -1.25}, fixed_y[] = {1, -1, 1, -1};
static invman_data fixed_data(void) {
  invman_data data;
  data.n = 4;
  data.d = 2;
  data.x = fixed_x;
  data.y = fixed_y;
  return data;
}

/* forged: by a file, whose margins are believed. */
static void steps(invman_flow *flow, const invman_data *train, int forged, size_t most) {
  invman_status status = INVMAN_STOPPED;
  check_flow(flow, train, forged, invman_flow_get_info(flow)->status);
  for (; most > 0 && status == INVMAN_STOPPED; most--) {
    status = invman_flow_step(flow);
    check_flow(flow, train, forged, status);
  }
}

static void fuzz_flow(
    input in) { /* mode: 1 checksum, 2 a model's, 4 momentum, 8 another loss, 16 a net that is there */
  invman_context ctx = context((1 << 20) + 256 * (size_t)(in.end - in.at));
  unsigned mode = byte(&in);
  const char *path = checked_file(in, mode);
  invman_data train = fixed_data();
  invman_flow_options o;
  invman_flow *flow;
  invman_net net;
  linear state = {{0.5, -0.25, 0, 0}, 2};
  invman_model model = model_of(&state);
  invman_rng rng;
  invman_status status;
  size_t before;
  memset(&o, 0, sizeof o);
  memset(&net, 0, sizeof net);
  o.dynamics = mode & 4 && mode & 2 ? INVMAN_MOMENTUM : INVMAN_EVENT_DRIVEN;
  o.momentum = mode & 4 && mode & 2 ? 1 : 0;
  o.loss = mode & 8 ? INVMAN_SOFT_HINGE : INVMAN_HINGE;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  if (mode & 16) REQUIRE(invman_net_init(&ctx, 3, 2, &rng, &net) == INVMAN_OK);
  before = heap_blocks;
  status = mode & 2 ? invman_flow_resume_model(&ctx, path, &model, &train, &o, &flow)
                    : invman_flow_resume(&ctx, path, &net, &train, &o, &flow);
  if (status < 0) REQUIRE(!flow && heap_blocks == before);
  else steps(flow, &train, 1, mode & 8 ? mode > 247 : 3); /* a step of a smooth loss may take long */
  invman_flow_free(flow);
  invman_net_free(&ctx, &net);
  REQUIRE(heap_blocks == 0);
}

/* ---- calls */

enum { N = 7, D = 3, H = 9 };

static double positive(input *in) { /* an option: mostly its default */
  return byte(in) < 192 ? 0 : fabs(number(in));
}

static void random_options(input *in, invman_flow_options *o, size_t d) {
  memset(o, 0, sizeof *o);
  o->alpha = byte(in) < 128 ? 1e-2 : positive(in);
  o->loss = (int)(byte(in) < 232 ? 0 : below(in, 3));
  o->loss_beta = positive(in);
  o->rotation_tol = positive(in);
  o->margin_tol = positive(in);
  o->relative_tol = positive(in);
  o->t_max = positive(in);
  o->margin_stop = positive(in);
  o->tstar_fraction = positive(in);
  o->d_par = below(in, d + 1);
  o->single = byte(in) % 4 == 0;
  o->dynamics = byte(in) % 4 == 0;
  o->momentum = positive(in);
}

/* Saved and resumed, the next step is the same to the bit. */
static void check_resume(const invman_context *ctx, invman_flow *flow, const invman_data *train,
                         const invman_flow_options *o) {
  invman_flow *again;
  invman_net other;
  invman_status a, b;
  memset(&other, 0, sizeof other);
  REQUIRE(invman_flow_save(flow, file_name(0)) == INVMAN_OK);
  REQUIRE(invman_flow_resume(ctx, file_name(0), &other, train, o, &again) == INVMAN_OK);
  a = invman_flow_step(flow);
  b = invman_flow_step(again);
  REQUIRE(a == b);
  if (a >= 0) {
    REQUIRE(!memcmp(flow->shown->w, other.w, other.h * other.d * sizeof(double)));
    REQUIRE(!memcmp(flow->shown->b, other.b, other.h * sizeof(double)));
    REQUIRE(!memcmp(flow->shown->beta, other.beta, other.h * sizeof(double)));
  }
  invman_flow_free(again);
  invman_net_free(ctx, &other);
}

static void call_flow(const invman_context *ctx, input *in) {
  double x[N * D], y[N], w[H * D], b[H], beta[H];
  size_t n = 1 + below(in, N), d = 1 + below(in, D), h = 1 + below(in, H), most = 1 + below(in, 6);
  int resume = byte(in) % 4 == 0;
  invman_data train;
  invman_net net;
  invman_flow_options o;
  invman_flow *flow;
  invman_status status;
  net.h = h;
  net.d = d;
  net.w = w;
  net.b = b;
  net.beta = beta;
  random_options(in, &o, d);
  o.dynamics = 0;
  o.momentum = 0;
  points(in, &train, x, y, n, d);
  numbers(in, w, h * d);
  numbers(in, b, h);
  numbers(in, beta, h);
  status = invman_flow_create(ctx, &net, &train, &o, &flow);
  if (status < 0) {
    REQUIRE(!flow);
    return;
  }
  steps(flow, &train, 0, most);
  if (resume && invman_flow_get_info(flow)->end == INVMAN_END_NONE && flow->scope.status == INVMAN_OK)
    check_resume(ctx, flow, &train, &o);
  invman_flow_free(flow);
}

static void call_model(const invman_context *ctx, input *in) {
  double x[N * D], y[N];
  linear state = {{0, 0, 0, 0}, 1};
  size_t n = 1 + below(in, N), most = 1 + below(in, 6);
  invman_model model;
  invman_data train;
  invman_flow_options o;
  invman_flow *flow;
  invman_status status;
  state.d = 1 + below(in, D);
  numbers(in, state.w, state.d);
  random_options(in, &o, state.d);
  o.single = 0;
  if (byte(in) < 240) o.rotation_tol = 0; /* which models have not */
  points(in, &train, x, y, n, state.d);
  model = model_of(&state);
  status = invman_flow_create_model(ctx, &model, &train, &o, &flow);
  if (status < 0) {
    REQUIRE(!flow);
    return;
  }
  steps(flow, &train, 0, most);
  invman_flow_free(flow);
}

/* A Gram matrix of any vectors, or any symmetric matrix. Whether it is the former, in the range of doubles. */
static int random_kernel(input *in, double *K, size_t n) {
  double v[N * D];
  size_t kind = below(in, 4), i, j, r = 1 + below(in, D);
  if (kind > 0) numbers(in, v, n * r);
  for (i = 0; i < n; i++)
    for (j = 0; j <= i; j++)
      K[i * n + j] = K[j * n + i] = kind > 0 ? invman_i_inner(v + i * r, v + j * r, r) : number(in);
  return kind > 0 && largest(K, n * n) < 1e300;
}

static void kernel_column(size_t j, double *column, void *arg) {
  const double *K = (const double *)arg;
  size_t n = (size_t)K[0];
  memcpy(column, K + 1 + j * n, n * sizeof *column);
}

static void call_lazy(const invman_context *ctx, input *in) {
  double K[1 + N * N], y[N], a[N], margin[N];
  size_t n = 1 + below(in, N), i, j, kind = below(in, 3), columns = below(in, 2);
  invman_lazy_options o;
  invman_lazy_info info;
  invman_status status;
  memset(&o, 0, sizeof o);
  o.s_max = positive(in);
  o.event_max = 200;
  o.margin = margin;
  K[0] = (double)n;
  random_kernel(in, K + 1, n);
  for (i = 0; i < n; i++) y[i] = kind == 0 ? (i == 0 ? -1 : 1) : byte(in) % 2 ? -1 : 1;
  status = columns ? invman_lazy_train_columns(ctx, kernel_column, K, y, n, &o, a, &info)
                   : invman_lazy_train(ctx, K + 1, y, n, &o, a, &info);
  if (status < 0) return;
  REQUIRE(info.status == status && finite_all(a, n) && finite_all(margin, n) && info.loss >= 0 && info.residual >= 0);
  REQUIRE((status == INVMAN_OK) == (info.end == INVMAN_END_SATISFIED));
  REQUIRE((status == INVMAN_NOT_SEPARABLE) == (info.end == INVMAN_END_REST));
  REQUIRE(info.end > INVMAN_END_NONE && info.end <= INVMAN_END_ROUNDING);
  for (i = 0; i < n && status == INVMAN_OK; i++) {
    double m = 0, scale = 0;
    for (j = 0; j < n; j++) m += y[i] * a[j] * K[1 + i * n + j], scale += fabs(a[j] * K[1 + i * n + j]);
    REQUIRE(m >= 1 - 1e-6 - 1e-11 * scale);
  }
}

static void call_gram(const invman_context *ctx, input *in) {
  double x[N * D], z[N * D], w[H * D], b[H], beta[H], K[N * N], f[N];
  size_t n = below(in, N + 1), m = below(in, N + 1), part = below(in, 4), two = below(in, 2), i;
  invman_net net, grad;
  double most;
  net.d = 1 + below(in, D);
  net.h = 1 + below(in, H);
  net.w = w;
  net.b = b;
  net.beta = beta;
  numbers(in, x, n * net.d);
  numbers(in, z, m * net.d);
  numbers(in, w, net.h * net.d);
  numbers(in, b, net.h);
  numbers(in, beta, net.h);
  most = fmax(fmax(largest(x, n * net.d), two ? largest(z, m * net.d) : 0),
              fmax(largest(w, net.h * net.d), fmax(largest(b, net.h), largest(beta, net.h))));
  if (invman_ntk_gram(ctx, &net, (int)part, x, n, two ? z : NULL, m, K) >= 0 && most < 1e70)
    REQUIRE(finite_all(K, n * (two ? m : n)));
  if (invman_ntk_gram_infinite(ctx, net.d, (int)part, x, n, two ? z : NULL, m, K) >= 0 && most < 1e70) {
    REQUIRE(finite_all(K, n * (two ? m : n)));
    for (i = 0; i < n && !two; i++) REQUIRE(K[i * n + i] >= 0);
  }
  if (invman_net_eval(ctx, &net, x, n, f) >= 0 && most < 1e70) REQUIRE(finite_all(f, n));
  memset(&grad, 0, sizeof grad);
  if (invman_net_gradient(ctx, &net, x, n, f, &grad) >= 0 && most < 1e50) check_net(&grad);
  invman_net_free(ctx, &grad);
}

/* Pairs of an eigenvalue and a vector, of a matrix whose elements are scaled to 1 so that nothing overflows. */
static void check_pairs(const double *A, size_t n, size_t k, const double *lambda, const double *V, double tolerance) {
  double scale = largest(A, n * n), norm = 0;
  size_t r, i, j;
  REQUIRE(finite_all(V, k * n) && no_nan(lambda, k));
  if (!(scale > 1e-290 && scale < 1e290)) return;
  for (i = 0; i < n * n; i++) norm += A[i] / scale * (A[i] / scale);
  for (r = 0; r < k; r++) {
    double square = 0;
    if (r > 0) REQUIRE(lambda[r] <= lambda[r - 1]);
    for (i = 0; i < n; i++) {
      double rest = -lambda[r] / scale * V[r * n + i];
      for (j = 0; j < n; j++) rest += A[i * n + j] / scale * V[r * n + j];
      REQUIRE(fabs(rest) <= tolerance * sqrt(norm));
      square += V[r * n + i] * V[r * n + i];
    }
    REQUIRE(fabs(square - 1) <= 1e-12);
  }
}

typedef struct matrix {
  double *A;
} matrix;

static void apply_matrix(const double *x, double *y, size_t n, void *arg) {
  const double *A = ((const matrix *)arg)->A;
  size_t i;
  for (i = 0; i < n; i++) y[i] = invman_i_inner(A + i * n, x, n);
}

/* Whether an eigenvalue may be beyond all numbers, as none is whose bound is not. */
static int may_overflow(const double *A, size_t n) {
  double most = 0;
  size_t i;
  for (i = 0; i < n * n; i++) most = fmax(most, fabs(A[i]));
  return !(most <= DBL_MAX / (4 * (double)n));
}

static void call_eigh(const invman_context *ctx, input *in) {
  double A[N * N], V[N * N], lambda[N], alone[N];
  size_t n = 1 + below(in, N), k = 1 + below(in, n), i;
  invman_status status;
  matrix arg;
  random_kernel(in, A, n);
  memcpy(V, A, n * n * sizeof *A);
  status = invman_eigh(ctx, n, V, lambda);
  REQUIRE(finite_all(A, n * n) ? status >= 0 || may_overflow(A, n) : status < 0);
  if (status == INVMAN_OK) check_pairs(A, n, n, lambda, V, 1e-13 * (double)n);
  memcpy(V, A, n * n * sizeof *A);
  if (invman_eigvalsh(ctx, n, V, alone) == INVMAN_OK && status == INVMAN_OK)
    for (i = 0; i < n; i++) {
      double most = fmax(fabs(lambda[0]), fabs(lambda[n - 1]));
      REQUIRE(alone[i] == lambda[i] || fabs(alone[i] - lambda[i]) <= 1e-12 * most || !invman_i_isfinite(most) ||
              most < DBL_MIN);
    }
  arg.A = A;
  status = invman_eigh_top(ctx, n, k, apply_matrix, &arg, 0, lambda, V);
  if (status == INVMAN_OK) check_pairs(A, n, k, lambda, V, 1e-12);
}

static void call_kpca(const invman_context *ctx, input *in) {
  double K[N * N], y[N], lambda[N], phi[N * N], omega2[N], sum = 0, dimension, error;
  size_t n = 1 + below(in, N), r = 1 + below(in, n), i;
  int gram = random_kernel(in, K, n);
  invman_status status;
  for (i = 0; i < n; i++) y[i] = byte(in) % 2 ? -1 : 1;
  status = invman_kernel_pca(ctx, K, y, n, r, lambda, phi, omega2);
  REQUIRE(status >= 0 || !finite_all(K, n * n) || may_overflow(K, n));
  if (status >= 0) {
    REQUIRE(no_nan(lambda, r) && finite_all(phi, r * n) && finite_all(omega2, r));
    for (i = 0; i < r; i++) sum += omega2[i];
    REQUIRE(sum <= 1 + 1e-10);
  }
  if (invman_intrinsic_dimension(ctx, K, n, &dimension, &error) >= 0 && gram) REQUIRE(dimension > 0 && error > 0);
  if (finite_all(K, n * n)) REQUIRE(invman_duplicates(K, n) <= n);
}

static void call_measures(const invman_context *ctx, input *in) {
  double v[2 * N * 2], y[2 * N], bits = -1, mean, deviation, x[N], e[N], exponent, interval[2] = {0, 0};
  size_t n = 1 + below(in, 2 * N), dim = 1 + below(in, 2), m = 1 + below(in, N), i;
  invman_mi_options o;
  invman_rng rng;
  invman_rng_seed(&rng, 1, byte(in));
  o.k = below(in, 4);
  o.count_self = (int)below(in, 2);
  numbers(in, v, n * dim);
  for (i = 0; i < n; i++) y[i] = byte(in) % 2 ? -1 : 1;
  if (invman_mutual_information(ctx, v, dim, y, n, &o, &bits) >= 0) REQUIRE(bits >= 0 && bits <= 1);
  if (invman_mutual_information_null(ctx, v, dim, y, n, &o, 2, &rng, &mean, &deviation) >= 0)
    REQUIRE(mean >= 0 && mean <= 1 && deviation >= 0);
  for (i = 0; i < m; i++) x[i] = fabs(number(in)), e[i] = fabs(number(in));
  if (invman_fit_power_law(ctx, x, e, m, &exponent, &deviation) >= 0)
    REQUIRE(invman_i_isfinite(exponent) && deviation >= 0);
  if (invman_median_power_law(ctx, x, e, m, 1, 5, &rng, &exponent, interval) >= 0)
    REQUIRE(invman_i_isfinite(exponent) && interval[0] <= interval[1]);
}

static double any_label(const double *x_par, size_t d_par, void *user) {
  (void)user;
  return x_par[d_par - 1] - 3;
}

static void call_data(const invman_context *ctx, input *in) {
  double interfaces[3];
  invman_data_model m;
  invman_data data;
  invman_rng rng;
  invman_fixed_point point[4];
  size_t n = below(in, 6), found;
  memset(&m, 0, sizeof m);
  m.kind = (int)below(in, 4);
  m.d = below(in, 6);
  m.d_par = below(in, 6);
  m.interface_count = below(in, 4);
  numbers(in, interfaces, 3);
  if (byte(in) % 2) m.interfaces = interfaces;
  m.radius = positive(in);
  m.label = byte(in) % 2 ? any_label : NULL;
  m.compression = positive(in);
  invman_rng_seed(&rng, byte(in), byte(in));
  check_data(&data, invman_data_sample(ctx, &m, n, &rng, &data));
  if (data.n > 0) invman_data_shuffle(&data, &rng);
  invman_data_free(ctx, &data);
  if (byte(in) % 16 == 0 && /* half a millisecond */
      invman_stripe_fixed_points(m.interfaces, m.interface_count, m.d, point, 4, &found) >= 0)
    for (n = 0; n < found && n < 4; n++) REQUIRE(invman_i_isfinite(point[n].z) && point[n].time == point[n].time);
}

/* ---- diagnostics: what a status calls usable holds no NaN, and is within its bounds */

static int within(double x, double low, double high) {
  return x >= low - 1e-9 * fabs(low) - 1e-12 && x <= high + 1e-9 * fabs(high) + 1e-12;
}

static void call_spectra(const invman_context *ctx, input *in) {
  double K[N * N], L[N * N], U[N * N], lambda[N], y[N], tau[N], power[N], f[N], value, gamma = fabs(number(in));
  size_t n = 1 + below(in, N), r = below(in, n + 1), used, i;
  int gram = random_kernel(in, K, n);
  invman_spectrum s;
  random_kernel(in, L, n);
  numbers(in, y, n);
  memcpy(U, K, n * n * sizeof *K);
  if (invman_von_neumann_entropy(ctx, K, n, &value) >= 0)
    REQUIRE(value >= 0 && (!gram || within(value, 0, log((double)n))));
  if (invman_target_alignment(ctx, K, y, n, &value) >= 0) REQUIRE(within(value, -1, 1));
  if (invman_centred_alignment(ctx, K, L, n, r, &value) >= 0) REQUIRE(within(value, -1, 1));
  if (invman_eigh(ctx, n, U, lambda) < 0 || !finite_all(lambda, n)) return;
  if (invman_spectral_measures(ctx, lambda, n, (int)below(in, 2), 0, &s) >= 0) {
    REQUIRE(s.sum >= 0 && s.sum <= DBL_MAX && within(s.entropy, 0, log((double)n)) && s.rank <= n);
    if (s.rank > 0) REQUIRE(within(s.participation_ratio, 1, (double)n) && within(s.stable_rank, 1, (double)n));
    if (s.rank > 0) REQUIRE(within(s.anisotropy, 1 / (double)n, 1));
  }
  if (invman_ridge_leverage(ctx, lambda, U, n, gamma, tau, &value) >= 0)
    for (i = 0; i < n; i++) REQUIRE(within(tau[i], 0, 1) && within(value, 0, (double)n));
  if (invman_cumulative_power(ctx, U, y, n, power) >= 0) REQUIRE(within(power[0], 0, 1) && within(power[n - 1], 1, 1));
  if (invman_rkhs_norm(ctx, lambda, U, y, n, 0, &value, &used) >= 0)
    REQUIRE(value >= 0 && value <= DBL_MAX && used <= n);
  if (invman_spectral_predictor(ctx, lambda, U, y, n, r, gamma, K, n, f) >= 0) REQUIRE(finite_all(f, n));
  if (invman_nystrom_extension(ctx, lambda, U, n, r, K, n, L) >= 0) REQUIRE(finite_all(L, n * r));
  REQUIRE(!(invman_unexplained_area(lambda, n, below(in, n)) < 0));
}

static void call_subspaces(const invman_context *ctx, input *in) {
  double U[N * D], V[N * D], x[N * D], y[N], w[H * D], b[H], beta[H], theta[D], norm[N], left[N], C[D * D], rate[H];
  double lambda[D], V2[D * D], g[N * D * D], volume[N], amplification[N], v[H * (D + 1)], t[H], value;
  size_t d = 1 + below(in, D), k = 1 + below(in, d), m = 1 + below(in, d), n = 1 + below(in, N), count, i;
  invman_net net, made;
  invman_data data;
  invman_angles angles;
  invman_rng rng;
  points(in, &data, x, y, n, d);
  net.h = 1 + below(in, H), net.d = d, net.w = w, net.b = b, net.beta = beta;
  numbers(in, U, k * d), numbers(in, V, m * d);
  numbers(in, w, net.h * d), numbers(in, b, net.h), numbers(in, beta, net.h);
  invman_rng_seed(&rng, 1, byte(in));
  if (invman_principal_angles(ctx, U, k, V, m, d, theta, &angles) >= 0) {
    REQUIRE(angles.count >= 1 && angles.count <= k && angles.count <= m && within(angles.overlap, 0, 1));
    for (i = 0; i < angles.count; i++) REQUIRE(within(theta[i], i > 0 ? theta[i - 1] : 0, angles.largest));
    REQUIRE(within(angles.largest, 0, acos(0.0)) && no_nan(&angles.projection, 1));
  }
  if (invman_subspace_norms(ctx, U, k, d, x, n, norm, left) >= 0)
    for (i = 0; i < n; i++) REQUIRE(norm[i] >= 0 && left[i] >= 0);
  if (invman_weight_covariance(ctx, &net, (int)below(in, 2), C) >= 0)
    REQUIRE(finite_all(C, d * d) && !(invman_metric_amplification(C, d, 1) < 0));
  if (invman_input_gradient(ctx, &net, x, n, g) >= 0) {
    REQUIRE(finite_all(g, n * d));
    if (invman_active_subspace(ctx, g, n, d, 0, C, lambda, V2, theta) >= 0)
      REQUIRE(finite_all(C, d * d) && no_nan(lambda, d) && no_nan(theta, d) && finite_all(V2, d * d));
  }
  if (invman_stein_moments(ctx, &data, lambda, C) >= 0) REQUIRE(finite_all(lambda, d) && finite_all(C, d * d));
  if (invman_stein_directions(ctx, &data, below(in, 3), &rng, lambda, C, &value, &count) >= 0)
    REQUIRE(finite_all(lambda, d) && finite_all(C, d * d) && value >= 0 && count <= d);
  if (invman_pullback_metric(ctx, &net, x, n, below(in, d), g, volume, amplification) >= 0)
    REQUIRE(finite_all(g, n * d * d) && no_nan(volume, n) && no_nan(amplification, n));
  if (invman_hessian_spectrum(ctx, &net, &data, NULL, rate, v) >= 0)
    for (i = 0; i < net.h; i++) REQUIRE(rate[i] >= 0 && finite_all(v + i * (d + 1), d + 1));
  if (invman_linear_regions(ctx, &net, U, V, t, &count) >= 0)
    for (i = 0; i < count; i++) REQUIRE(t[i] >= 0 && t[i] <= 1 && (i == 0 || t[i] > t[i - 1]));
  if (invman_activation_patterns(ctx, &net, x, n, &count) >= 0) REQUIRE(count >= 1 && count <= n);
  if (invman_net_init_orthogonal(ctx, net.h, d, &rng, &made) >= 0) {
    value = invman_amplification(&made, 1);
    REQUIRE(finite_all(made.w, net.h * d) && (d < 2 || within(value, 1 - 1e-9, 1 + 1e-9)));
    invman_net_free(ctx, &made);
  }
}

static void call_dimensions(const invman_context *ctx, input *in) {
  double K[N * N], x[N * D], far_[N * N], y[N], lid[N], value, other;
  size_t n = 1 + below(in, N), d = 1 + below(in, D), k = below(in, n + 1), i;
  invman_collapse c;
  invman_rng rng;
  invman_status status;
  numbers(in, x, n * d);
  random_kernel(in, K, n);
  for (i = 0; i < n; i++) y[i] = (double)below(in, 3);
  invman_rng_seed(&rng, 1, byte(in));
  if (invman_neural_collapse(ctx, K, y, n, &c) >= 0) {
    REQUIRE(c.within >= 0 && c.within <= DBL_MAX && c.between >= 0 && c.between <= DBL_MAX);
    REQUIRE(c.nc1 >= 0 && c.nc1_trace >= 0 && c.nc2_norms >= 0 && c.nc2_angles >= 0 && c.uncentred_cosine >= 0);
    REQUIRE(within(c.nearest_mean_error, 0, 1) && c.classes >= 2 && c.classes <= 3);
  }
  status = below(in, 2) ? invman_kernel_distances(ctx, K, n, far_) : invman_point_distances(ctx, x, n, d, far_);
  if (status < 0) return;
  for (i = 0; i < n * n; i++) REQUIRE(far_[i] >= 0 && far_[i] <= DBL_MAX);
  if (invman_median_distance(ctx, far_, n, &value) >= 0) REQUIRE(value >= 0 && value <= DBL_MAX);
  if (invman_two_nn(ctx, far_, n, (int)below(in, 2), &value) >= 0) REQUIRE(value > 0);
  if (invman_local_dimension(ctx, far_, n, k, (int)below(in, 3), lid, &value, &other) >= 0) {
    for (i = 0; i < n; i++) REQUIRE(lid[i] >= 0);
    REQUIRE(value > 0 && other > 0);
  }
  if (invman_mst_length(ctx, far_, n, &value) >= 0) REQUIRE(value >= 0 && value <= DBL_MAX);
  if (invman_mst_dimension(ctx, far_, n, &value) >= 0) REQUIRE(value > 0);
  if (invman_diffusion_entropy(ctx, far_, n, fabs(number(in)), fabs(number(in)), &value) >= 0)
    REQUIRE(within(value, 0, n > 1 ? log2((double)(n - 1)) : 0));
  if (invman_diffusion_information(ctx, far_, y, n, fabs(number(in)), 1, 2, &rng, &value) >= 0)
    REQUIRE(invman_i_isfinite(value));
}

static void call_mixing(const invman_context *ctx, input *in) {
  double G[N * N], M[N * N], sigma[N], v[N], a, b;
  size_t n = 1 + below(in, N), i;
  invman_sinkhorn_info info;
  invman_mixing m;
  invman_status status;
  numbers(in, G, n * n);
  if (byte(in) % 4 == 0) G[below(in, n * n)] = -HUGE_VAL;
  status = invman_sinkhorn(ctx, G, n, fabs(number(in)), 0, 100, M, &info);
  if (status >= 0) {
    for (i = 0; i < n * n; i++) REQUIRE(within(M[i], 0, 1 + (status == INVMAN_OK ? 0 : 1e-6)));
    REQUIRE(status == INVMAN_OK ? info.residual < 1e-12 : info.sweeps == 100);
    if (invman_mixing_measures(ctx, M, n, &m) >= 0) {
      REQUIRE(within(m.sigma_2, 0, 1 + 1e-5) && within(m.entropy, 0, 1e-4 + (double)n * log((double)n)));
      if (status == INVMAN_OK) REQUIRE(m.sigma_2 <= m.by_least + 1e-9 && m.sigma_2 <= m.by_norm[1] + 1e-9);
      if (status == INVMAN_OK) REQUIRE(m.sigma_2 <= m.by_entropy + 1e-6 && m.sigma_2 >= m.by_norm[0] - 1e-9);
    }
  } else {
    for (i = 0; i < n * n; i++) M[i] = 0;
  }
  if (invman_centred_singular_values(ctx, G, n, sigma) >= 0)
    for (i = 0; i < n; i++) REQUIRE(sigma[i] >= 0 && sigma[i] <= DBL_MAX);
  if (invman_mix_with_identity(ctx, G, n, fabs(number(in))) >= 0) REQUIRE(finite_all(G, n * n));
  numbers(in, v, n);
  a = fabs(number(in)), b = fabs(number(in));
  if (finite_all(v, n) && invman_i_isfinite(a)) {
    invman_layer_norm(v, n, a);
    REQUIRE(finite_all(v, n) && largest(v, n) <= sqrt((double)n) * (1 + 1e-9));
  }
  if (!invman_i_isfinite(a) || !invman_i_isfinite(b)) return;
  REQUIRE(invman_effective_depth(a, b) >= 0 && invman_chain_depth(sigma, 0, b) == 1 && invman_snr(a, b, n) >= 0);
  REQUIRE(within(invman_snr_cosine(a), 0, 1) && invman_critical_snr(a) >= 0 && invman_critical_depth(a, b, 0.5) >= 0);
  REQUIRE(within(invman_cosine_bound(a, b, n, 1), 0, 1) && invman_mode_noise(a, n) >= 0 &&
          invman_region_bound(n, 9) >= 1);
}

static void fuzz_api(input in) {
  static void (*const calls[])(const invman_context *ctx, input *in) = {
      call_flow,     call_model, call_lazy,    call_gram,      call_eigh,       call_kpca,
      call_measures, call_data,  call_spectra, call_subspaces, call_dimensions, call_mixing};
  invman_context ctx = context(1 << 25);
  calls[below(&in, sizeof calls / sizeof *calls)](&ctx, &in);
  REQUIRE(heap_blocks == 0);
}

/* ---- who runs what */

typedef struct target {
  const char *name;
  void (*run)(input in);
} target;
static const target targets[] = {{"csv", fuzz_csv},   {"idx", fuzz_idx},   {"net", fuzz_net},
                                 {"flow", fuzz_flow}, {"conv", fuzz_conv}, {"api", fuzz_api}};

static const target *target_of(const char *name) {
  size_t k;
  for (k = 0; name && k < sizeof targets / sizeof *targets; k++)
    if (!strcmp(name, targets[k].name)) return &targets[k];
  fprintf(stderr, "no such target: %s\n", name ? name : "");
  exit(2);
}

#ifndef FUZZ_MAIN
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
  static const target *chosen;
  input in;
  if (!chosen) {
    chosen = target_of(getenv("FUZZ"));
    atexit(remove_files);
  }
  in.at = bytes;
  in.end = bytes + n;
  chosen->run(in);
  return 0;
}
#else

/* ---- the first corpus */

static const char *corpus; /* its directory */

static void put(const char *name, const char *file, const char *mode, size_t mode_length, const void *bytes, size_t n) {
  char path[600];
  FILE *out;
  snprintf(path, sizeof path, "%s/%s/%s", corpus, name, file);
  out = fopen(path, "wb");
  REQUIRE(out && fwrite(mode, 1, mode_length, out) == mode_length && fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

static void put_text(const char *file, const char *text) { put("csv", file, "", 0, text, strlen(text)); }

static void put_saved(const char *name, const char *file, char mode) { /* what was saved as file 0 */
  static unsigned char bytes[1 << 16];
  FILE *in = fopen(file_name(0), "rb");
  REQUIRE(in != NULL);
  put(name, file, &mode, 1, bytes, fread(bytes, 1, sizeof bytes, in));
  fclose(in);
}

static void make_flows(void) {
  invman_data train = fixed_data();
  int kind;
  for (kind = 0; kind < 5; kind++) { /* at the start, later, soft, a model's, with momentum */
    static const char mode[] = {1, 17, 9, 3, 7};
    static const char *const name[] = {"start", "later", "soft", "model", "momentum"};
    invman_flow_options o;
    invman_flow *flow;
    invman_net net;
    invman_rng rng;
    linear state = {{0.5, -0.25, 0, 0}, 2};
    invman_model model = model_of(&state);
    int k;
    memset(&o, 0, sizeof o);
    o.loss = kind == 2 ? INVMAN_SOFT_HINGE : INVMAN_HINGE;
    o.dynamics = kind == 4 ? INVMAN_MOMENTUM : INVMAN_EVENT_DRIVEN;
    o.momentum = kind == 4;
    o.single = kind == 2;
    invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
    REQUIRE(invman_net_init(NULL, 3, 2, &rng, &net) == INVMAN_OK);
    REQUIRE((kind < 3 ? invman_flow_create(NULL, &net, &train, &o, &flow)
                      : invman_flow_create_model(NULL, &model, &train, &o, &flow)) == INVMAN_OK);
    for (k = 0; k < (kind == 0 ? 0 : 40); k++) invman_flow_step(flow);
    REQUIRE(invman_flow_save(flow, file_name(0)) == INVMAN_OK);
    put_saved("flow", name[kind], mode[kind]);
    invman_flow_free(flow);
    invman_net_free(NULL, &net);
  }
}

static void make_corpus(void) {
  static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 4};
  static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 200, 0, 255};
  static const unsigned char channels[] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 9, 200, 0, 255};
  unsigned char bytes[64];
  invman_net net;
  invman_convnet *conv;
  invman_convnet_options o;
  invman_rng rng;
  size_t k, i;
  put_text("plain", "1,2,-1\n0.5,1e-3,1\n");
  put_text("header", "\xef\xbb\xbfx1;x2;label\r\n# a comment\r\n\r\n 1;2;+1\r\n-.5;4;-1");
  put_text("spaces", "1 2 1\n\t3\t4\t-1\n");
  put_text("bad", "1,2,1\n1,nan,1\n1,,1\n1,2,3,1\n1,2,0\n");
  memcpy(bytes, labels, sizeof labels);
  memcpy(bytes + sizeof labels, images, sizeof images);
  put("idx", "images", "\0\n", 2, bytes, sizeof labels + sizeof images);
  memcpy(bytes + sizeof labels, channels, sizeof channels);
  put("idx", "channels", "\x11\n", 2, bytes, sizeof labels + sizeof channels);
  put("idx", "limit", "\x03\n", 2, bytes, sizeof labels + sizeof channels);
  invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
  for (k = 1; k <= 3; k++) {
    static const char *const name[] = {"one", "two", "three"};
    REQUIRE(invman_net_init(NULL, k, 4 - k, &rng, &net) == INVMAN_OK);
    REQUIRE(invman_net_save(NULL, &net, file_name(0)) == INVMAN_OK);
    put_saved("net", name[k - 1], (char)(k % 2));
    invman_net_free(NULL, &net);
  }
  make_flows();
  memset(&o, 0, sizeof o);
  o.channels = o.height = 1;
  o.width = 2;
  o.width_factor = 0.1;
  o.blocks = o.layers = 1;
  REQUIRE(invman_convnet_create(NULL, &o, &rng, &conv) == INVMAN_OK);
  REQUIRE(invman_convnet_save(conv, file_name(0)) == INVMAN_OK);
  put_saved("conv", "smallest", 1);
  invman_convnet_free(conv);
  for (k = 0; k < 12; k++) {
    char mode[] = {(char)k}, file[] = {(char)('a' + k), 0};
    for (i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(invman_rng_next(&rng) % 208);
    put("api", file, mode, 1, bytes, sizeof bytes);
  }
}

static void run_file(const target *t, const char *path) {
  static uint8_t bytes[1 << 16];
  input in;
  FILE *file = fopen(path, "rb");
  if (!file) {
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(2);
  }
  in.at = bytes;
  in.end = bytes + fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  t->run(in);
}

int main(int argc, char **argv) {
  int k;
  if (argc < 3) return 2;
  if (!strcmp(argv[1], "--make")) {
    corpus = argv[2];
    make_corpus();
  } else {
    for (k = 2; k < argc; k++) run_file(target_of(argv[1]), argv[k]);
  }
  remove_files();
  return 0;
}
#endif
