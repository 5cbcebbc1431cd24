/* One run in the feature regime, watched: how weights and gradients turn to the directions that matter, and what the
   tangent kernel, the last layer and the linear pieces tell of that while the loss hardly moves.

   cc -O2 -fopenmp examples/watch_compression.c -o watch_compression -lm
   ./watch_compression --p 411 --h 1000 --out watch.csv */
#define INVMAN_IMPLEMENTATION
#include "points.h"

typedef struct arguments {
  const char *out;
  size_t d, d_par, p, h, seed, kernel_n, test_size;
  double alpha, tol, t_max, every;
  int model, orthogonal; /* model: INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.model, 0, 0, "stripe", "where the labels change", 0},
    POINT_OPTIONS("--csv"),
    {"--d", "N", read_whole, &asked.d, 1, 0, NULL, "inputs (stripe 5, cylinder 3)", 0},
    {"--d-par", "N", read_whole, &asked.d_par, 1, 0, NULL,
     "csv: informative inputs, the first ones; columns that need them are - where it is not given", 0},
    {"--p", "N", read_whole, &asked.p, 1, 0, NULL,
     "training points (models 411; files 1000, but at most half of the points)", 0},
    {"--h", "N", read_whole, &asked.h, 1, 0, "1000", "neurons", 0},
    {"--orthogonal", NULL, read_switch, &asked.orthogonal, 0, 0, NULL,
     "first layer with W'W = h 1: Lambda is 1 at the start, not only on average (h >= d)", 0},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "1e-6",
     "scale of the predictor: small trains features, large is lazy", 0},
    {"--seed", "N", read_whole, &asked.seed, 0, 0, "1", "of points and weights", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--t-max", "T", read_positive, &asked.t_max, 0, 0, NULL,
     "stop at this time t, which is h times the t/h of the table (none)", 0},
    {"--every", "X", read_positive, &asked.every, 1, 0, "1.5", "look again when t or Lambda has changed by this factor",
     0},
    {"--kernel-n", "N", read_whole, &asked.kernel_n, 2, 0, NULL,
     "fresh points for the kernels (200; files: at most half of those behind the training points)", 0},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, NULL,
     "test points (models 2000; files: all that are left, at most 2000)", 0},
    {"--out", "FILE", read_output, &asked.out, 0, 0, NULL, "CSV of the table, in full precision", 0},
};

static const program description = {
    "watch_compression",
    "train a one-hidden-layer network; watch its directions, kernel and linear pieces on the way",
    NULL,
    "  watch_compression --p 411 --h 1000 --out watch.csv\n"
    "  watch_compression --model cylinder --every 1.2\n"
    "\n"
    "Columns, - where one is not defined:\n"
    "  t/h, loss  time, mean hinge loss\n"
    "  Lambda     amplification of the informative inputs by the first layer's weights; Lam_g: by the metric of the "
    "features, mean over 50 points\n"
    "  angle      largest, in degrees, between the informative inputs and as many first directions of sum beta^2 omega "
    "omega'\n"
    "  entropy    of the tangent kernel's spectrum; d_eff: its effective dimension, ridge its mean eigenvalue\n"
    "  align      of the tangent kernel with the labels; CKA: its centred alignment with that of the start\n"
    "  NC1        of the last layer's kernel: scatter within classes over that between them\n"
    "  par, perp  neurons that switch along an informative input from -3 to 3, others at 0; along another one (means)\n"
    "  growth     of the fastest neuron, by the points below their margin: exp(growth t/h); at rest 0\n"
    "  error      share of test points with y F <= 0\n"
    "  Lam_f      as Lambda, by the gradients df/dx at the kernel's points (active subspace); not 1 at the start: the "
    "signs of beta do not average out in one network\n"
    "  cells      different patterns of active neurons among the kernel's points\n"
    "\n"
    "Exit status: 0 the run ended, or stopped where it was told to; 1 it ended above zero loss; 2 bad input, or the "
    "file "
    "cannot be written; 3 interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

static void complete(const arguments *a) {
  check_point_options("--csv");
  if (a->d && own_points()) fail("--d: the file sets the number of inputs");
  if (a->d_par && !source.csv) fail("--d-par: a model says itself which inputs are informative, and images do not");
}

static const char *model_of(const arguments *a) {
  if (own_points()) return points_about();
  return a->model == INVMAN_CYLINDER ? "cylinder" : "stripe";
}

/* ---- a run */

enum { T, LOSS, LAMBDA, LAM_G, ANGLE, ENTROPY, D_EFF, ALIGN, CKA, NC1, PAR, PERP, GROWTH, ERR, LAM_F, CELLS, COLUMNS };
static const char *const names[COLUMNS] = {"t/h", "loss", "Lambda", "Lam_g", "angle",  "entropy", "d_eff", "align",
                                           "CKA", "NC1",  "par",    "perp",  "growth", "error",   "Lam_f", "cells"};
static const char *const headers[COLUMNS] = {
    "t_over_h",  "loss",    "lambda", "lambda_g",      "angle",          "entropy", "effective_dimension",
    "alignment", "cka",     "nc1",    "crossings_par", "crossings_perp", "growth",  "test_error",
    "lambda_f",  "patterns"};

typedef struct moment {
  double value[COLUMNS];
} moment;

typedef struct run {
  invman_context ctx;
  arguments a;
  size_t d, d_par;                /* d_par 0: unknown */
  point_set own;                  /* of a file */
  invman_data train, test, fresh; /* the kernels are of the fresh points */
  size_t flipped;
  char *advice;
  invman_net net;
  invman_flow *flow;
  double *K, *K0, *work; /* (kernel_n,kernel_n): now, at the start */
  moment *moments;
  size_t count, room;
} run;

static invman_data draw(const run *r, size_t n, uint64_t stream, const char *about) {
  invman_data_model model;
  memset(&model, 0, sizeof model);
  model.kind = r->a.model;
  model.d = r->d;
  return sample(&r->ctx, &model, n, r->a.seed, stream, about);
}

static void draw_points(run *r) {
  r->d = r->a.d ? r->a.d : r->a.model == INVMAN_CYLINDER ? 3 : 5;
  r->d_par = r->a.model == INVMAN_CYLINDER ? 2 : 1;
  r->train = draw(r, r->a.p ? r->a.p : 411, INVMAN_STREAM_TRAIN, "training points");
  r->test = draw(r, r->a.test_size ? r->a.test_size : 2000, INVMAN_STREAM_TEST, "test points");
  r->fresh = draw(r, r->a.kernel_n ? r->a.kernel_n : 200, INVMAN_STREAM_KERNEL, "kernel points");
}

static size_t at_most(size_t n, size_t most) { return n < most ? n : most; }

/* The training points are those of compress with the same seed. */
static void load_points(run *r) {
  point_set *own = &r->own;
  size_t first = 0, left, tests;
  read_points(&r->ctx, own);
  r->d = own->all.d;
  r->d_par = r->a.d_par;
  if (r->d_par > r->d)
    fail("%s: --d-par %lu, but only %lu inputs", points_path(), (unsigned long)r->d_par, (unsigned long)r->d);
  r->advice = advice(own);
  shuffle_points(own, r->a.seed);
  r->train = part(&own->all, &first, r->a.p ? r->a.p : at_most((own->all.n + 1) / 2, 1000), "--p", points_path());
  left = own->all.n - first;
  r->fresh =
      part(&own->all, &first, r->a.kernel_n ? r->a.kernel_n : at_most(left / 2, 200), "--kernel-n", points_path());
  if (r->fresh.n < 2) fail("%s: no points are left for the kernels: --p must be smaller", points_path());
  tests = source.test_csv ? own->test.n : own->all.n - first;
  r->test = test_part(own, &first, r->a.test_size ? r->a.test_size : at_most(tests, 2000));
  standardise_points(own, &r->train);
}

static void begin(run *r) {
  invman_flow_options o;
  invman_rng rng;
  size_t n;
  memset(&o, 0, sizeof o);
  if (own_points()) load_points(r);
  else draw_points(r);
  n = r->fresh.n;
  r->flipped = flip_labels(&r->train, r->a.seed, INVMAN_STREAM_TRAIN);
  if (r->a.orthogonal && r->a.h < r->d) fail("--orthogonal: fewer neurons than inputs");
  invman_rng_seed(&rng, r->a.seed, INVMAN_STREAM_WEIGHTS);
  check((r->a.orthogonal ? invman_net_init_orthogonal : invman_net_init)(&r->ctx, r->a.h, r->d, &rng, &r->net),
        "network");
  o.alpha = r->a.alpha;
  o.rotation_tol = o.margin_tol = r->a.tol;
  o.t_max = r->a.t_max;
  o.d_par = r->d_par;
  check(invman_flow_create(&r->ctx, &r->net, &r->train, &o, &r->flow), own_points() ? points_path() : "training");
  r->K = numbers(n, n);
  r->K0 = numbers(n, n);
  r->work = numbers(n, n);
  check(invman_ntk_gram(&r->ctx, &r->net, INVMAN_NTK_ALL, r->fresh.x, n, NULL, 0, r->K0), "kernel");
}

/* ---- a moment of it */

static void see_kernel(run *r, double *v) {
  const invman_context *ctx = &r->ctx;
  const invman_data *x = &r->fresh;
  size_t n = x->n;
  double *lambda = numbers(n, 1);
  invman_spectrum spectrum;
  invman_collapse collapse;
  check(invman_ntk_gram(ctx, &r->net, INVMAN_NTK_ALL, x->x, n, NULL, 0, r->K), "kernel");
  memcpy(r->work, r->K, n * n * sizeof(double));
  check(invman_eigvalsh(ctx, n, r->work, lambda), "spectrum");
  check(invman_spectral_measures(ctx, lambda, n, 0, 0, &spectrum), "spectrum");
  v[ENTROPY] = spectrum.entropy;
  if (spectrum.sum > 0)
    check(invman_ridge_leverage(ctx, lambda, NULL, n, spectrum.sum / (double)n, NULL, &v[D_EFF]), "spectrum");
  check(invman_target_alignment(ctx, r->K, x->y, n, &v[ALIGN]), "alignment");
  if (invman_centred_alignment(ctx, r->K, r->K0, n, 0, &v[CKA]) < 0) v[CKA] = unknown;
  free(lambda);
  if (!has_both(x)) return; /* which a few points need not have */
  check(invman_ntk_gram(ctx, &r->net, INVMAN_NTK_LAST_LAYER, x->x, n, NULL, 0, r->work), "kernel");
  check(invman_neural_collapse(ctx, r->work, x->y, n, &collapse), "collapse");
  v[NC1] = collapse.nc1_trace;
}

enum { METRIC_POINTS = 50 };

static void see_directions(run *r, double *v) {
  const invman_context *ctx = &r->ctx;
  size_t d = r->d, k = r->d_par, n = r->fresh.n, i;
  double *C = numbers(d, d), *lambda = numbers(d, 1), *axes = numbers(k, d), *theta = numbers(d, 1);
  double *lambda_g = numbers(n, 1);
  invman_angles angles;
  if (n > METRIC_POINTS) n = METRIC_POINTS;
  if (k > 0 && d > k) {
    v[LAMBDA] = invman_amplification(&r->net, k);
    check(invman_pullback_metric(ctx, &r->net, r->fresh.x, n, k, NULL, NULL, lambda_g), "metric");
    for (v[LAM_G] = 0, i = 0; i < n; i++) v[LAM_G] += lambda_g[i] / (double)n;
  }
  if (k > 0) {
    check(invman_weight_covariance(ctx, &r->net, 1, C), "directions");
    check(invman_eigh(ctx, d, C, lambda), "directions");
    for (i = 0; i < k * d; i++) axes[i] = i / d == i % d;
    check(invman_principal_angles(ctx, C, k, axes, k, d, theta, &angles), "directions");
    v[ANGLE] = angles.largest * 180 / acos(-1.0);
  }
  free(C);
  free(lambda);
  free(axes);
  free(theta);
  free(lambda_g);
}

/* Weights may turn that no output needs; the gradients tell what f itself depends on. */
static void see_gradients(run *r, double *v) {
  size_t d = r->d, n = r->fresh.n;
  double *grad = numbers(n, d), *C = numbers(d, d);
  check(invman_input_gradient(&r->ctx, &r->net, r->fresh.x, n, grad), "gradients");
  check(invman_active_subspace(&r->ctx, grad, n, d, 0, C, NULL, NULL, NULL), "gradients");
  if (r->d_par > 0 && d > r->d_par) v[LAM_F] = invman_metric_amplification(C, d, r->d_par);
  free(grad);
  free(C);
}

enum { REACH = 3 }; /* of a segment along an input, to both sides */

/* Mean number of neurons that switch along the inputs from `first` up to `end`. */
static double crossings(run *r, size_t first, size_t end) {
  double *a = numbers(2, r->d), *b = a + r->d, *t = numbers(r->net.h, 1), sum = 0;
  size_t i, j, count;
  for (i = first; i < end; i++) {
    for (j = 0; j < r->d; j++) a[j] = -(b[j] = j == i ? REACH : 0);
    check(invman_linear_regions(&r->ctx, &r->net, a, b, t, &count), "pieces");
    sum += (double)count;
  }
  free(a);
  free(t);
  return end > first ? sum / (double)(end - first) : unknown;
}

/* Points with the same active neurons share a linear piece of the network. */
static double cells(run *r) {
  size_t count;
  check(invman_activation_patterns(&r->ctx, &r->net, r->fresh.x, r->fresh.n, &count), "pieces");
  return (double)count;
}

/* Points push as long as they are below their margin; what those that slide along it push is not told, and left out. */
static double growth(run *r) {
  size_t p = r->train.n, h = r->net.h, i;
  double *g = numbers(p, 1), *rate = numbers(h, 1), top = 0;
  check(invman_flow_predict(r->flow, r->train.x, p, g), "prediction");
  for (i = 0; i < p; i++) g[i] = r->train.y[i] * g[i] < 1 - 2e-3; /* as the flow's own margin_stop */
  check(invman_hessian_spectrum(&r->ctx, &r->net, &r->train, g, rate, NULL), "growth");
  for (i = 0; i < h; i++) top = rate[i] > top ? rate[i] : top;
  free(g);
  free(rate);
  return (double)h * top;
}

static int width_of(int c) {
  return c == T || c == LOSS ? 10 : c == CELLS ? 5 : c == D_EFF || c == CKA ? 6 : 7; /* 130 in all */
}

static void show_moment(const moment *m) {
  static const int digits[COLUMNS] = {5, 5, 4, 4, 3, 4, 4, 3, 4, 4, 4, 4, 3, 3, 4, 5};
  int c;
  for (c = 0; c < COLUMNS; c++) {
    if (!known(m->value[c])) show(" %*s", width_of(c), "-");
    else if (m->value[c] > DBL_MAX) show(" %*s", width_of(c), "inf");
    else show(" %*.*g", width_of(c), digits[c], m->value[c]);
  }
  show("\n");
}

static void look(run *r) {
  const invman_flow_info *info = invman_flow_get_info(r->flow);
  moment *m;
  int c;
  if (r->count == r->room) r->moments = (moment *)enlarge(r->moments, &r->room, sizeof(moment));
  m = &r->moments[r->count++];
  for (c = 0; c < COLUMNS; c++) m->value[c] = unknown;
  m->value[T] = info->t / (double)r->net.h;
  m->value[LOSS] = info->loss;
  see_directions(r, m->value);
  see_gradients(r, m->value);
  see_kernel(r, m->value);
  if (r->d_par > 0) {
    m->value[PAR] = crossings(r, 0, r->d_par);
    m->value[PERP] = crossings(r, r->d_par, r->d);
  }
  m->value[GROWTH] = growth(r);
  if (info->t > 0 && r->test.n > 0) m->value[ERR] = flow_error(r->flow, &r->test);
  m->value[CELLS] = cells(r);
  show_moment(m);
}

/* ---- all of it */

static int has_changed(const run *r, double t, double lambda) {
  const double *last = r->moments[r->count - 1].value;
  double h = (double)r->net.h, by = r->a.every;
  if (t >= by * last[T] * h) return 1;
  return last[LAMBDA] <= DBL_MAX && (lambda >= by * last[LAMBDA] || lambda <= last[LAMBDA] / by); /* not if unknown */
}

static invman_status train(run *r) {
  const invman_flow_info *info = invman_flow_get_info(r->flow);
  look(r);
  while (info->end == INVMAN_END_NONE && !interrupted) {
    check(invman_flow_step(r->flow), "training");
    if (r->d_par > 0)
      begin_stage(0, 1, "t/h %-10.4g Lambda %-8.4g satisfied", info->t / (double)r->net.h, info->lambda);
    else begin_stage(0, 1, "t/h %-10.4g satisfied", info->t / (double)r->net.h);
    progress("", 1 - (double)info->unsatisfied / (double)r->train.n, NULL);
    if (has_changed(r, info->t, info->lambda)) look(r);
  }
  if (r->moments[r->count - 1].value[T] < info->t / (double)r->net.h) look(r);
  return info->status;
}

static void show_setting(const run *r) {
  double angle = 2 * atan((double)REACH / sqrt((double)r->d)), regions = invman_region_bound(r->net.h, r->d);
  int c;
  show("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu; kernels of %lu other points", model_of(&r->a),
       (unsigned long)r->d, (unsigned long)r->train.n, (unsigned long)r->net.h, r->a.alpha, (unsigned long)r->a.seed,
       (unsigned long)r->fresh.n);
  if (source.flip > 0) show("; %lu training labels are flipped", (unsigned long)r->flipped);
  show("\n");
  show("at the start%s 1, par and perp h theta/pi = %.4g; ",
       r->a.orthogonal ? ": Lambda 1, on average Lam_g" : ", on average: Lambda and Lam_g",
       (double)r->net.h * angle / acos(-1.0));
  show("always: entropy <= ln n = %.4g, d_eff <= n/2\n", log((double)r->fresh.n));
  show("cells: at most one per point; h hyperplanes cut R^d into ");
  if (regions <= DBL_MAX) show("%.4g regions at most\n\n", regions);
  else show("more regions than a number holds (their bound is infinite)\n\n");
  for (c = 0; c < COLUMNS; c++) show(" %*s", width_of(c), names[c]);
  show("\n");
}

static const char *end_of(const invman_flow_info *info) {
  return interrupted ? "interrupted" : invman_end_string(info->end);
}

static void write_csv(const run *r, const char *path) {
  const invman_flow_info *info = invman_flow_get_info(r->flow);
  text t = {NULL, 0, 0};
  size_t i;
  int c;
  put(&t,
      "# watch_compression, invman.h %d.%d.%d: %s, d = %lu, d_par = %lu, p = %lu, h = %lu, alpha = %g, seed %lu, "
      "%lu kernel points, %lu test points%s\n",
      INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH, model_of(&r->a), (unsigned long)r->d,
      (unsigned long)r->d_par, (unsigned long)r->train.n, (unsigned long)r->net.h, r->a.alpha, (unsigned long)r->a.seed,
      (unsigned long)r->fresh.n, (unsigned long)r->test.n, r->a.orthogonal ? ", orthogonal at the start" : "");
  if (own_points()) put(&t, "# %s%s\n", points_path(), source.standardise ? ", standardised" : "");
  if (source.flip > 0) put(&t, "# flip %g: %lu training labels\n", source.flip, (unsigned long)r->flipped);
  put(&t, "# %s: %s\n", invman_status_string(info->status), end_of(info));
  for (c = 0; c < COLUMNS; c++) put(&t, "%s%s", c ? "," : "", headers[c]);
  put(&t, "\n");
  for (i = 0; i < r->count; i++) {
    const double *value = r->moments[i].value;
    put(&t, "%.9g", value[T]);
    for (c = T + 1; c < COLUMNS; c++) put_value(&t, value[c]);
    put(&t, "\n");
  }
  if (save(path, &t)) show("%s is written\n", path);
}

int main(int argc, char **argv) {
  static run r;
  const invman_flow_info *info;
  invman_status status;
  start(argc, argv, &description);
  complete(&asked);
  r.ctx.error = &error;
  r.a = asked;
  begin(&r);
  advise(r.advice);
  show_setting(&r);
  begin_work();
  status = train(&r);
  info = invman_flow_get_info(r.flow);
  show("\n%s: %s\n", invman_status_string(status), interrupted ? end_string(INVMAN_END_PROGRESS) : end_of(info));
  if (info->t_star > 0 && r.d_par == 0) show("t*/h %.6g\n", info->t_star / (double)r.net.h);
  else if (info->t_star > 0) show("t*/h %.6g, Lambda* %.4g\n", info->t_star / (double)r.net.h, info->lambda_star);
  if (r.a.out) write_csv(&r, r.a.out);
  invman_flow_free(r.flow);
  invman_net_free(&r.ctx, &r.net);
  if (own_points()) {
    free_points(&r.ctx, &r.own);
  } else {
    invman_data_free(&r.ctx, &r.train);
    invman_data_free(&r.ctx, &r.test);
    invman_data_free(&r.ctx, &r.fresh);
  }
  free(r.K);
  free(r.K0);
  free(r.work);
  free(r.moments);
  return finish(status == INVMAN_OK || status == INVMAN_STOPPED ? 0 : 1);
}
