/* The main job as a program: trains a network in the feature regime on labelled points, to zero hinge loss, and shows
   how much it compressed the directions that do not matter.

   cc -O2 -fopenmp examples/compress.c -o compress -lm
   ./compress --help */
#define INVMAN_IMPLEMENTATION
#include "points.h"

typedef struct arguments {
  const char *jsonl, *pgm, *save, *resume;
  size_t d, d_par, p, h, seed, test_size, every;
  double alpha, tol, t_max, save_every;
  times times;
  int model; /* INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.model, 0, 0, "stripe", "points of the paper's models", 0},
    POINT_OPTIONS("--csv"),
    {"--d", "N", read_whole, &asked.d, 1, 0, NULL, "inputs (stripe 5, cylinder 3)", 0},
    {"--d-par", "N", read_whole, &asked.d_par, 1, 0, NULL,
     "informative inputs, the first ones (stripe 1, cylinder 2; csv: Lambda is shown where given)", 0},
    {"--p", "N", read_whole, &asked.p, 1, 0, NULL,
     "training points (models 411; files 1000, but at most half of the points, or all where --test-csv is given)", 0},
    {"--h", "N", read_whole, &asked.h, 1, 0, "1000", "neurons", 0},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "1e-6",
     "scale of the predictor: small trains features, large is lazy", 0},
    {"--seed", "N", read_whole, &asked.seed, 0, 0, "1", "of points, weights and the choice of training points", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, NULL,
     "test points (models 10000; files: all that are left)", 0},
    {"--t-max", "T", read_positive, &asked.t_max, 0, 0, NULL,
     "stop at this time t, which is h times the t/h of the table (none)", 0},
    {"--jsonl", "FILE", read_output, &asked.jsonl, 0, 0, NULL,
     "lines of JSON: the run's setting, and one per report, from t = 0 on; a resumed run is appended", 0},
    {"--every", "N", read_whole, &asked.every, 1, 0, "10", "steps between reports", 0},
    {"--times", "lin|log:A:B:N", read_times, &asked.times, 0, 0, NULL,
     "reports at N times t from A to B instead, each of which a step ends at; not one step then is as without them", 0},
    {"--pgm", "FILE", read_output, &asked.pgm, 0, 0, NULL,
     "images: a picture of the energy that the network kept per pixel", 0},
    {"--save", "FILE", read_output, &asked.save, 0, 0, NULL, "save the run where it ends; Ctrl-C ends it early", 0},
    {"--save-every", "SECONDS", read_positive, &asked.save_every, 0, 0, NULL,
     "also at the first report after so many seconds, for a run that may be killed", 0},
    {"--resume", "FILE", read_name, &asked.resume, 0, 0, NULL, "go on from there: give the same data, alpha and h", 0},
};

static const program description = {
    "compress",
    "train a one-hidden-layer network by the hinge gradient flow; measure how it compresses its input",
    NULL,
    "  compress --d 5 --p 411 --h 10000\n"
    "  compress --model cylinder --d 3 --p 1000 --jsonl run.jsonl\n"
    "  compress --csv points.csv --p 500\n"
    "  compress --csv cancer.csv --label-column diagnosis --positive M --drop id --standardise\n"
    "  compress --idx t10k-images-idx3-ubyte t10k-labels-idx1-ubyte --p 1000 --pgm kept.pgm\n"
    "\n"
    "The last lines are of the labels alone, before training: the directions that first and second moments of labels "
    "and "
    "inputs show above chance (Stein's lemma). Of a label that depends on products of three inputs only they show "
    "nothing.\n"
    "\n"
    "least: the least test error of all reports, and when it was. Fitting the last points often costs some of it.\n"
    "\n"
    "Exit status: 0 the run ended, or stopped where it was told to; 1 it ended above zero loss; 2 bad input, or a file "
    "cannot be written; 3 interrupted.",
    NULL,
    options,
    sizeof options / sizeof *options};

static void complete(const arguments *a) {
  check_point_options("--csv");
  if (a->d && own_points()) fail("--d: the file sets the number of inputs");
  if (a->d_par && source.idx[0]) fail("--d-par: images have no known informative inputs");
  if (a->pgm && !source.idx[0]) fail("--pgm: only images make a picture");
  if (a->save_every > 0 && !a->save) fail("--save-every: --save says where");
  if (a->times.count > 0 && !a->jsonl) fail("--times: --jsonl says where");
  if (a->times.count > 0 && given("--every")) fail("give one of --every and --times");
}

/* ---- the data */

typedef struct problem {
  point_set own;           /* of a file */
  invman_data train, test; /* of a model, or views of those */
  invman_data seen;        /* test points whose error is watched */
  size_t d_par;            /* 0: unknown */
  size_t flipped;          /* labels */
  char *advice;            /* on the table */
  const char *about;
} problem;

static void draw(const invman_context *ctx, const arguments *a, problem *q) {
  invman_data_model model;
  memset(&model, 0, sizeof model);
  model.kind = a->model;
  model.d = a->d ? a->d : a->model == INVMAN_CYLINDER ? 3 : 5;
  model.d_par = a->d_par;
  q->d_par = a->d_par ? a->d_par : a->model == INVMAN_CYLINDER ? 2 : 1;
  q->train = sample(ctx, &model, a->p ? a->p : 411, a->seed, INVMAN_STREAM_TRAIN, "training points");
  q->test = sample(ctx, &model, a->test_size ? a->test_size : 10000, a->seed, INVMAN_STREAM_TEST, "test points");
  q->about = a->model == INVMAN_CYLINDER ? "cylinder" : "stripe";
}

/* How many training points there are where --p does not say it. */
static size_t usual_size(size_t n) {
  if (source.test_csv) return n < 1000 ? n : 1000;
  return n < 2000 ? (n + 1) / 2 : 1000;
}

static void load(const invman_context *ctx, const arguments *a, problem *q) {
  point_set *own = &q->own;
  size_t first = 0;
  read_points(ctx, own);
  if (a->d_par > own->all.d)
    fail("%s: --d-par %lu, but only %lu inputs", points_path(), (unsigned long)a->d_par, (unsigned long)own->all.d);
  q->advice = advice(own);
  shuffle_points(own, a->seed);
  q->train = part(&own->all, &first, a->p ? a->p : usual_size(own->all.n), "--p", points_path());
  q->test = test_part(own, &first, a->test_size);
  standardise_points(own, &q->train);
  q->d_par = a->d_par;
  q->about = points_about();
}

enum { SEEN_MOST = 10000 };

static void pose(const invman_context *ctx, const arguments *a, problem *q) {
  if (own_points()) load(ctx, a, q);
  else draw(ctx, a, q);
  q->flipped = flip_labels(&q->train, a->seed, INVMAN_STREAM_TRAIN);
  q->seen = q->test;
  if (!a->jsonl && q->seen.n > SEEN_MOST) q->seen.n = SEEN_MOST;
}

static void free_problem(const invman_context *ctx, problem *q) {
  if (q->own.all.x) {
    free_points(ctx, &q->own);
  } else {
    invman_data_free(ctx, &q->train);
    invman_data_free(ctx, &q->test);
  }
}

/* ---- while it runs */

typedef struct monitor {
  journal lines;
  const arguments *a;
  int lambda;        /* whether it is known */
  double tau;        /* h sqrt(d/2), the paper's unit of time */
  invman_flow *flow; /* the one that runs */
  double least, at;  /* the least test error of the reports, and when; least < 0: none */
  double saved;      /* seconds, of the last time */
} monitor;

static void put_row(monitor *m, const invman_flow_info *info, double h, double test_error) {
  text line = {NULL, 0, 0};
  put(&line, "{\"step\": %lu", (unsigned long)info->step);
  put_field(&line, "t", info->t, 6);
  put_field(&line, "t_over_h", info->t / h, 6);
  put_field(&line, "t_over_tau", info->t / m->tau, 6);
  put_field(&line, "dt", info->dt, 6);
  put_field(&line, "loss", info->loss, 6);
  put_field(&line, "test_error", test_error >= 0 ? test_error : unknown, 6);
  put_field(&line, "lambda", m->lambda ? info->lambda : unknown, 6);
  put(&line, ", \"sliding\": %lu, \"unsatisfied\": %lu}\n", (unsigned long)info->sliding,
      (unsigned long)info->unsatisfied);
  append(&m->lines, &line);
}

/* Everything that made the run. */
static void put_setting(monitor *m, const problem *q, size_t h) {
  const arguments *a = m->a;
  text line = {NULL, 0, 0};
  put_machine(&line);
  put_string_field(&line, "data", own_points() ? points_path() : q->about);
  put_string_field(&line, "test_data", source.test_csv);
  put_string_field(&line, "label_column", source.label);
  put_string_field(&line, "positive", source.positive);
  put_string_field(&line, "drop", source.drop);
  put(&line, ", \"standardise\": %s", source.standardise ? "true" : "false");
  put_field(&line, "flip", source.flip, 6);
  put(&line, ", \"flipped\": %lu, \"p\": %lu, \"test_size\": %lu, \"d\": %lu", (unsigned long)q->flipped,
      (unsigned long)q->train.n, (unsigned long)q->test.n, (unsigned long)q->train.d);
  put_field(&line, "d_par", q->d_par > 0 ? (double)q->d_par : unknown, 6);
  put(&line, ", \"h\": %lu", (unsigned long)h);
  put_field(&line, "alpha", a->alpha, 6);
  put(&line, ", \"seed\": %lu", (unsigned long)a->seed);
  put_field(&line, "rotation_tol", a->tol, 6);
  put_field(&line, "margin_tol", a->tol, 6);
  put_field(&line, "t_max", a->t_max > 0 ? a->t_max : unknown, 6);
  put_field(&line, "tau", m->tau, 6);
  put_string_field(&line, "resumed", a->resume);
  put(&line, "}\n");
  append(&m->lines, &line);
}

/* Nothing is predicted yet, so that there is no test error. */
static void put_start(monitor *m, const invman_net *net, const problem *q) {
  invman_flow_info info = *invman_flow_get_info(m->flow);
  info.dt = 0;
  if (m->lambda) info.lambda = invman_amplification(net, q->d_par);
  put_row(m, &info, (double)net->h, -1);
}

/* Whole, under the name that it has in the end. */
static void save_now_and_then(monitor *m) {
  if (!(m->a->save_every > 0) || seconds() - m->saved < m->a->save_every) return;
  saved(invman_flow_save(m->flow, m->a->save), m->a->save);
  m->saved = seconds();
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  monitor *m = (monitor *)user;
  double t = info->t / (double)net->h;
  int last = info->end != INVMAN_END_NONE;
  if (info->test_error >= 0 && (m->least < 0 || info->test_error < m->least)) {
    m->least = info->test_error;
    m->at = t;
  }
  if (m->lines.file && (last || m->a->times.count == 0)) put_row(m, info, (double)net->h, info->test_error);
  if (!last) save_now_and_then(m);
  if (m->lambda) begin_stage(0, 1, "t/h %-10.4g Lambda %-8.4g satisfied", t, info->lambda);
  else begin_stage(0, 1, "t/h %-10.4g satisfied", t);
  return 0;
}

/* ---- what comes out */

static void show_run(const monitor *m, const problem *q, double h, double took) {
  const invman_flow *flow = m->flow;
  const invman_flow_info *info = invman_flow_get_info(flow);

  show("%-12s %s: %s\n", "status", invman_status_string(info->status), end_string(info->end));
  show("%-12s %.6g\n", "t/h", info->t / h);
  if (info->t_star > 0) show("%-12s %.6g\n", "t*/h", info->t_star / h);
  else show("%-12s not reached\n", "t*/h");
  if (q->d_par > 0 && q->d_par < q->train.d) {
    if (info->t_star > 0) show("%-12s %.4g\n", "Lambda*", info->lambda_star);
    else show("%-12s not reached\n", "Lambda*");
    show("%-12s %.4g\n", "Lambda_max", info->lambda_max);
  }
  show("%-12s %.6f\n", "train loss", info->loss);
  show("%-12s %.4f (%lu points)\n", "train error", flow_error(flow, &q->train), (unsigned long)q->train.n);
  if (q->test.n > 0)
    show("%-12s %.4f (%lu points)\n", "test error", flow_error(flow, &q->test), (unsigned long)q->test.n);
  if (m->least >= 0) {
    show("%-12s %.4f at t/h %.6g", "least", m->least, m->at);
    if (q->seen.n < q->test.n) show(" (the first %lu points)", (unsigned long)q->seen.n);
    show("\n");
  }
  show("%-12s %lu (%lu rejected, %lu events)\n", "steps", (unsigned long)info->step, (unsigned long)info->rejected,
       (unsigned long)info->events);
  show("%-12s %.1f\n", "seconds", took);
}

typedef struct share {
  double energy;
  size_t input;
} share;

static int more_energy_first(const void *a, const void *b) {
  const share *s = (const share *)a, *t = (const share *)b;
  return s->energy != t->energy ? (s->energy < t->energy) - (s->energy > t->energy)
                                : (s->input > t->input) - (s->input < t->input);
}

/* The share of first-layer energy per input, sum over neurons of beta^2 omega_j^2: what the network kept. */
static share *energy_shares(const invman_net *net) {
  share *s = (share *)zeros(net->d, 1, sizeof(share));
  size_t n, j;
  double total = 0;
  for (j = 0; j < net->d; j++) {
    s[j].input = j;
    for (n = 0; n < net->h; n++) {
      double v = net->beta[n] * net->w[n * net->d + j];
      s[j].energy += v * v;
    }
    total += s[j].energy;
  }
  for (j = 0; j < net->d; j++) s[j].energy = total > 0 ? s[j].energy / total : 0;
  return s;
}

static void write_picture(const char *path, const invman_net *net, const size_t shape[3]) {
  share *s = energy_shares(net);
  size_t pixels = shape[1] * shape[2], i, c;
  double *energy = numbers(pixels, 1), most = 0;
  text t = {NULL, 0, 0};
  for (i = 0; i < pixels; i++) {
    for (c = 0; c < shape[0]; c++) energy[i] += s[c * pixels + i].energy;
    most = larger(most, energy[i]);
  }
  put(&t, "P5\n%lu %lu\n255\n", (unsigned long)shape[2], (unsigned long)shape[1]);
  for (i = 0; i < pixels; i++) {
    unsigned char grey = (unsigned char)(most > 0 ? 255 * energy[i] / most + 0.5 : 0);
    put_bytes(&t, &grey, 1);
  }
  if (save(path, &t)) show("picture      %s\n", path);
  free(energy);
  free(s);
}

static void show_energy(const arguments *a, const invman_net *net, const problem *q) {
  share *s = energy_shares(net);
  size_t shown = net->d < 20 ? net->d : 20, j, wide = 12;
  qsort(s, net->d, sizeof *s, more_energy_first);
  for (j = 0; q->own.name && j < shown; j++)
    if (strlen(q->own.name[s[j].input]) > wide) wide = strlen(q->own.name[s[j].input]);
  show("\nshare of first-layer energy%s\n", shown < net->d ? ", the first twenty" : "");
  for (j = 0; j < shown; j++) {
    char name[64];
    size_t i = s[j].input, width = q->own.shape[2];
    if (source.idx[0])
      snprintf(name, sizeof name, "pixel %lu,%lu", (unsigned long)(i / width % q->own.shape[1]),
               (unsigned long)(i % width));
    show("%-*s %.4f\n", (int)wide, q->own.name ? q->own.name[i] : name, s[j].energy);
  }
  free(s);
  if (a->pgm) write_picture(a->pgm, net, q->own.shape);
}

/* ---- the informative directions, as the labels alone show them before any training */

enum { PERMUTATIONS = 19, STREAM_PERMUTATIONS = 6, DIRECTIONS = 5, MOST_INPUTS = 200 };

typedef struct directions {
  const char *skipped;            /* why there are none; NULL: there are */
  size_t inputs, lost;            /* of the whitened points; those without variance */
  size_t found;                   /* those that rest on a few points among them */
  double noise, *strength, *form; /* form (inputs,d): linear forms of norm 1 of the inputs as they are */
  unsigned char *rare;            /* (d) inputs that have one value but in a few points */
  unsigned char *few;             /* (inputs) directions along which a few points have most of the variance */
} directions;

/* How many points are a few, of n. */
static size_t a_few(size_t n) {
  size_t few = n / 100 > 4 ? n / 100 : 4;
  return few < n / 10 ? few : n / 10;
}

/* Whether a few points have most of the variance of x_0, x_stride, ..: their labels alone would make a moment, which no
   permutation of the others changes. */
static int rests_on_few(const double *x, size_t n, size_t stride) {
  double *square = numbers(n, 1), mean = 0, all = 0, most = 0;
  size_t i;
  for (i = 0; i < n; i++) mean += (x[i * stride] - x[0]) / (double)n;
  for (i = 0; i < n; i++) {
    double off = x[i * stride] - x[0] - mean;
    all += square[i] = off * off;
  }
  qsort(square, n, sizeof *square, larger_first);
  for (i = 0; i < a_few(n); i++) most += square[i];
  free(square);
  return 2 * most > all;
}

/* Whether x_0, x_stride, .. have one value but in a few points, or in up to a twentieth of which a few have most of the
   variance. */
static int is_rare(const double *x, size_t n, size_t stride) {
  double *sorted = numbers(n, 1);
  size_t i, run = 0, longest = 0;
  for (i = 0; i < n; i++) sorted[i] = x[i * stride];
  qsort(sorted, n, sizeof *sorted, larger_first);
  for (i = 0; i < n; i++) {
    run = i > 0 && sorted[i] == sorted[i - 1] ? run + 1 : 1;
    longest = run > longest ? run : longest;
  }
  free(sorted);
  return n - longest <= a_few(n) || (n - longest <= n / 20 && rests_on_few(x, n, stride));
}

/* The deviation of x_0, x_stride, ..; 0 where they differ by no more than rounding. */
static double deviation(const double *x, size_t n, size_t stride) {
  double mean = 0, square = 0, least = x[0], most = x[0];
  size_t i;
  for (i = 0; i < n; i++) {
    least = fmin(least, x[i * stride]);
    most = fmax(most, x[i * stride]);
    mean += (x[i * stride] - x[0]) / (double)n;
  }
  if (!(most - least > 8 * DBL_EPSILON * fmax(fabs(least), fabs(most)))) return 0;
  for (i = 0; i < n; i++) square += pow((x[i * stride] - x[0] - mean) / (most - least), 2) / (double)n;
  return (most - least) * sqrt(square);
}

/* The inputs that vary, in units of their own deviation, without the rare ones: of each what it is, of[], and its unit.
   An input's size says nothing about its variance. */
static invman_data comparable(const invman_data *data, size_t *of, double *unit, directions *out) {
  invman_data s = *data;
  size_t i, j;
  for (s.d = j = 0; j < data->d; j++) {
    double width = deviation(data->x + j, data->n, data->d);
    out->lost += !(width > 0);
    out->rare[j] = width > 0 && is_rare(data->x + j, data->n, data->d);
    if (!(width > 0) || out->rare[j]) continue;
    of[s.d] = j;
    unit[s.d++] = width;
  }
  s.x = numbers(data->n, s.d);
  for (i = 0; i < data->n; i++)
    for (j = 0; j < s.d; j++) s.x[i * s.d + j] = (data->x[i * data->d + of[j]] - data->x[of[j]]) / unit[j];
  return s;
}

/* C (d,d) <- W, whose first rows, as many as are returned, are the whitening forms eigenvector/sqrt(eigenvalue) of the
   points' covariance; those of no variance are left out. mean (d): of the points. */
static size_t whitening(const invman_context *ctx, const invman_data *data, double *mean, double *C) {
  size_t n = data->n, d = data->d, i, j, k, rank;
  double *lambda = numbers(d, 1);
  for (j = 0; j < d; j++)
    for (mean[j] = 0, i = 0; i < n; i++) mean[j] += data->x[i * d + j] / (double)n;
  for (j = 0; j < d; j++)
    for (k = j; k < d; k++) {
      double sum = 0;
      for (i = 0; i < n; i++) sum += (data->x[i * d + j] - mean[j]) * (data->x[i * d + k] - mean[k]) / (double)n;
      C[j * d + k] = C[k * d + j] = sum;
    }
  check(invman_eigh(ctx, d, C, lambda), "covariance of the inputs");
  for (rank = 0; rank < d && lambda[rank] > 1e-10 * lambda[0] && lambda[rank] > 0; rank++)
    for (j = 0; j < d; j++) C[rank * d + j] /= sqrt(lambda[rank]);
  free(lambda);
  return rank;
}

/* z (n,rank) = W (x - mean) */
static invman_data whitened(const invman_data *data, const double *mean, const double *W, size_t rank) {
  invman_data z = *data;
  size_t i, k, j;
  z.d = rank;
  z.x = numbers(data->n, rank);
  for (i = 0; i < data->n; i++)
    for (k = 0; k < rank; k++) {
      double sum = 0;
      for (j = 0; j < data->d; j++) sum += W[k * data->d + j] * (data->x[i * data->d + j] - mean[j]);
      z.x[i * rank + k] = sum;
    }
  return z;
}

/* v.z is a linear form W'v of the inputs that are used, and of x where these are taken in their units; scaled to norm
   1. form (d) */
static void form_of(const double *v, const double *W, size_t rank, const invman_data *used, const size_t *of,
                    const double *unit, size_t d, double *form) {
  double norm = 0;
  size_t k, j;
  memset(form, 0, d * sizeof *form);
  for (j = 0; j < used->d; j++) {
    double sum = 0;
    for (k = 0; k < rank; k++) sum += v[k] * W[k * used->d + j];
    form[of[j]] = sum / unit[j];
    norm = hypot(norm, form[of[j]]);
  }
  for (j = 0; j < d && norm > 0; j++) form[j] /= norm;
}

/* Of points z that are N(0,1), or as near to it as whitening makes them */
static void search(const invman_context *ctx, const arguments *a, const invman_data *z, double *V, directions *out) {
  double *along = numbers(z->n, 1);
  invman_rng rng;
  size_t i, j, k;
  out->strength = numbers(z->d, 1);
  invman_rng_seed(&rng, a->seed, STREAM_PERMUTATIONS);
  check(invman_stein_directions(ctx, z, PERMUTATIONS, &rng, out->strength, V, &out->noise, &out->found),
        "informative directions");
  for (k = 0; k < out->found; k++) {
    for (i = 0; i < z->n; i++)
      for (along[i] = 0, j = 0; j < z->d; j++) along[i] += V[k * z->d + j] * z->x[i * z->d + j];
    out->few[k] = (unsigned char)rests_on_few(along, z->n, 1);
  }
  free(along);
}

/* Stein's lemma asks for x ~ N(0,1). A model's points are; those of a file are centred and whitened, which makes them
   so where they are Gaussian, and else is the best that two moments can do. */
static void find_directions(const invman_context *ctx, const arguments *a, const invman_data *data, directions *out) {
  size_t d = data->d, j, k, *of;
  double *mean, *W, *V, *unit;
  invman_data used = *data, z;
  memset(out, 0, sizeof *out);
  if (source.idx[0]) out->skipped = "pixels are far from Gaussian";
  else if (d > MOST_INPUTS) out->skipped = "more than 200 inputs";
  else if (data->n / 5 < d) out->skipped = "fewer than five training points per input";
  if (out->skipped) return;
  mean = numbers(d, 1);
  unit = numbers(d, 1);
  W = numbers(d, d);
  of = (size_t *)zeros(d, 1, sizeof *of);
  out->rare = (unsigned char *)zeros(d, 2, 1);
  out->few = out->rare + d;
  for (j = 0; j < d * d; j++) W[j] = j / d == j % d;
  for (j = 0; j < d; j++) of[j] = j, unit[j] = 1;
  if (source.csv) used = comparable(data, of, unit, out);
  out->inputs = source.csv && used.d > 0 ? whitening(ctx, &used, mean, W) : used.d;
  out->lost += used.d - out->inputs;
  if (used.d == 0) out->skipped = out->lost == d ? "all points are equal" : "no input varies in more than a few points";
  z = used;
  if (out->inputs > 0) {
    if (source.csv) z = whitened(&used, mean, W, out->inputs);
    V = numbers(out->inputs, out->inputs);
    out->form = numbers(out->inputs, d);
    search(ctx, a, &z, V, out);
    for (k = 0; k < out->inputs; k++)
      form_of(V + k * out->inputs, W, out->inputs, &used, of, unit, d, out->form + k * d);
    free(V);
  }
  if (z.x != used.x) free(z.x);
  if (used.x != data->x) free(used.x);
  free(mean);
  free(unit);
  free(W);
  free(of);
}

static void show_rare(const directions *s, const invman_data *data, char *const *name) {
  size_t j, count = 0, shown = 0;
  for (j = 0; j < data->d; j++) count += s->rare[j];
  if (count == 0) return;
  show("%-12s", "rare");
  for (j = 0; j < data->d && shown < 2 * DIRECTIONS; j++)
    if (s->rare[j]) {
      if (name) show(" %s", name[j]);
      else show(" x%lu", (unsigned long)j + 1);
      shown++;
    }
  if (count > shown) show(" and %lu more", (unsigned long)(count - shown));
  show(": one value but in a few points, which says little of any other; left out\n");
}

static void show_directions(const directions *s, const invman_data *data, char *const *name) {
  size_t k, shown = 0, few = 0;
  if (s->skipped) {
    show("\ninformative directions by the labels alone: left out, %s\n", s->skipped);
    return;
  }
  show("\ninformative directions by the labels alone, before training\n");
  if (source.csv) {
    show("%-12s centred and whitened by their covariance, as this asks for N(0,1)", "inputs");
    if (s->lost > 0) show("; %lu without variance left out", (unsigned long)s->lost);
    show("\n");
  }
  show_rare(s, data, name);
  for (k = 0; k < s->found; k++) few += s->few[k];
  show("%-12s %lu of strength above %.4f, the most in %d permutations of the labels; sqrt(d/p) = %.4f\n", "found",
       (unsigned long)(s->found - few), s->noise, (int)PERMUTATIONS, sqrt((double)s->inputs / (double)data->n));
  for (k = 0; k < s->found && shown < DIRECTIONS; k++) {
    if (s->few[k]) continue;
    show("strength     %.4f", s->strength[k]);
    show_direction(s->form + k * data->d, data->d, name);
    shown++;
  }
  if (s->found - few > shown) show("%-12s %lu more\n", "and", (unsigned long)(s->found - few - shown));
  for (k = 0; k < s->found; k++) {
    if (!s->few[k]) continue;
    show("rare         %.4f, not among the found: it rests on a few points;", s->strength[k]);
    show_direction(s->form + k * data->d, data->d, name);
  }
}

static void free_directions(directions *s) {
  free(s->strength);
  free(s->form);
  free(s->rare);
}

/* ---- the run */

static invman_flow_options options_of(const arguments *a, const problem *q, monitor *m) {
  invman_flow_options o;
  memset(&o, 0, sizeof o);
  o.alpha = a->alpha;
  o.rotation_tol = o.margin_tol = a->tol;
  o.t_max = a->t_max;
  o.d_par = q->d_par;
  o.test = q->seen.n > 0 ? &q->seen : NULL;
  o.report_every = a->every;
  o.report = report;
  o.user = m;
  return o;
}

/* At its start, or where it was saved. */
static void begin_run(const invman_context *ctx, const arguments *a, const problem *q, monitor *m, invman_net *net) {
  invman_flow_options o = options_of(a, q, m);
  if (a->resume) {
    check(invman_flow_resume(ctx, a->resume, net, &q->train, &o, &m->flow), a->resume);
    if (net->h != a->h) fail("%s: made with --h %lu", a->resume, (unsigned long)net->h);
  } else {
    *net = new_net(ctx, a->h, q->train.d, a->seed);
    check(invman_flow_create(ctx, net, &q->train, &o, &m->flow), own_points() ? points_path() : "training");
  }
}

/* From where it is to the next time, where a step ends: it is saved, and resumed with that for its end. */
static void run_to(const invman_context *ctx, const problem *q, monitor *m, invman_net *net, const char *path,
                   double t) {
  invman_flow_options o = options_of(m->a, q, m);
  o.t_max = t;
  check(invman_flow_save(m->flow, path), path);
  invman_flow_free(m->flow);
  check(invman_flow_resume(ctx, path, net, &q->train, &o, &m->flow), path);
  check(invman_flow_run(m->flow), "training");
}

/* To the end, through all times that were asked for. */
static void run_all(const invman_context *ctx, const arguments *a, const problem *q, monitor *m, invman_net *net) {
  char *path = a->times.count > 0 ? temporary_name() : NULL;
  size_t k;
  for (k = 0; k < a->times.count && !interrupted; k++) {
    double t = a->times.value[k];
    const invman_flow_info *info = invman_flow_get_info(m->flow);
    if (t <= info->t || (a->t_max > 0 && t >= a->t_max)) continue;
    run_to(ctx, q, m, net, path, t);
    info = invman_flow_get_info(m->flow);
    if (info->end != INVMAN_END_T_MAX) break;
  }
  if (k == a->times.count && !interrupted && path) run_to(ctx, q, m, net, path, a->t_max);
  if (!path) check(invman_flow_run(m->flow), "training");
  if (path) remove(path);
  free(path);
}

static void show_setting(const arguments *a, const problem *q, const invman_net *net) {
  show("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu", q->about, (unsigned long)q->train.d,
       (unsigned long)q->train.n, (unsigned long)net->h, a->alpha, (unsigned long)a->seed);
  if (source.flip > 0) show("; %lu training labels are flipped", (unsigned long)q->flipped);
  show("\n");
}

static void begin_lines(monitor *m, const problem *q, const invman_net *net) {
  const arguments *a = m->a;
  read_journal(&m->lines, a->resume ? a->jsonl : NULL, "{\"", ignore_line, NULL); /* a torn line is removed */
  m->lines.path = a->jsonl;
  open_journal(&m->lines, !a->resume);
  if (m->lines.file) put_setting(m, q, net->h);
  if (m->lines.file && !a->resume) put_start(m, net, q);
}

int main(int argc, char **argv) {
  const arguments *a = &asked;
  invman_context ctx;
  invman_net net;
  problem q;
  monitor m;
  directions labels;
  double began;
  int status;
  start(argc, argv, &description);
  complete(a);
  memset(&ctx, 0, sizeof ctx);
  memset(&net, 0, sizeof net);
  memset(&q, 0, sizeof q);
  memset(&m, 0, sizeof m);
  ctx.error = &error;
  ctx.progress = progress;
  pose(&ctx, a, &q);
  m.a = a;
  m.lambda = q.d_par > 0 && q.d_par < q.train.d;
  m.tau = (double)a->h * sqrt((double)q.train.d / 2);
  m.least = -1;
  begin_run(&ctx, a, &q, &m, &net);
  begin_lines(&m, &q, &net);
  advise(q.advice);

  show_setting(a, &q, &net);
  find_directions(&ctx, a, &q.train, &labels);
  begin_work();
  began = m.saved = seconds();
  run_all(&ctx, a, &q, &m, &net);
  show_run(&m, &q, (double)net.h, seconds() - began);
  close_journal(&m.lines);
  if (a->save && saved(invman_flow_save(m.flow, a->save), a->save)) show("%-12s %s\n", "saved", a->save);
  if (own_points()) show_energy(a, &net, &q);
  show_directions(&labels, &q.train, q.own.name);

  status = invman_flow_get_info(m.flow)->status;
  invman_flow_free(m.flow);
  invman_net_free(&ctx, &net);
  free_directions(&labels);
  free_problem(&ctx, &q);
  return finish(status == INVMAN_OK || status == INVMAN_STOPPED ? 0 : 1);
}
