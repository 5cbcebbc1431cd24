/* Figures 1, 3, 4 and 6: one run of training, and what it shows of the neurons and of the predictor.

   cc -O2 -fopenmp examples/figure_run.c -o figure_run -lm
   ./figure_run arrows --out DIRECTORY */
#define INVMAN_IMPLEMENTATION
#include "tool.h"

enum { ARROWS, NEURONS, FIT, FIGURES }; /* the modes */

typedef struct arguments {
  const char *out;
  size_t d, d_par, p, h, seed, neuron, neurons, test_size;
  double alpha, tol, distance, middle, t_max, tau;
  int model; /* INVMAN_STRIPE or INVMAN_CYLINDER */
} arguments;

static arguments asked;

enum { OF_ARROWS = 1 << ARROWS, OF_NEURONS = 1 << NEURONS, OF_FIT = 1 << FIT };

/* In the order in which the files have them. */
static const option options[] = {
    {"--model", "stripe|cylinder", read_word, &asked.model, 0, 0, "stripe", "where the labels change", OF_ARROWS},
    {"--d", "N", read_whole, &asked.d, 2, 0, NULL, "inputs (stripe 2, cylinder 3)", OF_ARROWS},
    {"--d", "N", read_whole, &asked.d, 2, 0, "2", "inputs", OF_NEURONS | OF_FIT},
    {"--p", "N", read_whole, &asked.p, 1, 0, "1000", "training points", OF_ARROWS},
    {"--p", "N", read_whole, &asked.p, 1, 0, "10000", "training points", OF_NEURONS | OF_FIT},
    {"--h", "N", read_whole, &asked.h, 1, 0, "10000", "neurons", OF_ARROWS},
    {"--h", "N", read_whole, &asked.h, 1, 0, "1000", "neurons", OF_NEURONS | OF_FIT},
    {"--alpha", "A", read_positive, &asked.alpha, 0, 0, "1e-6",
     "scale of the predictor: small trains features, large is lazy", 0},
    {"--seed", "N", read_whole, &asked.seed, 0, 0, "1", "of all that is drawn at random", 0},
    {"--tol", "X", read_positive, &asked.tol, 0, 1, "0.1", "error of the margins, and rotation of a neuron, in a step",
     0},
    {"--neuron", "K", read_whole, &asked.neuron, 0, 0, "0",
     "the neuron whose weights are compared with its equations, from 0", OF_NEURONS},
    {"--neurons", "N", read_whole, &asked.neurons, 1, 0, NULL,
     "neurons drawn, chosen at random (300, or all where there are fewer)", OF_ARROWS},
    {"--neurons", "N", read_whole, &asked.neurons, 1, 0, NULL,
     "neurons whose trajectories are written, chosen at random (100, or all where there are fewer)", OF_NEURONS},
    {"--distance", "X", read_positive, &asked.distance, 0, 0, "0.15",
     "a neuron is at an attractor where its vector z is this near", OF_NEURONS},
    {"--test-size", "N", read_whole, &asked.test_size, 1, 0, "10000", "test points", OF_FIT},
    {"--middle", "X", read_positive, &asked.middle, 0, 0, "0.1",
     "the second time is when the loss has fallen to this; the first is t*, the third the end", OF_FIT},
    {"--t-max", "T", read_positive, &asked.t_max, 0, 0, NULL, "end at this time, in units of tau = h sqrt(d/2) (none)",
     OF_FIT},
    {"--out", "DIRECTORY", read_folder, &asked.out, 0, 0, ".", "where the files go, made if need be", 0},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const mode modes[] = {
    {"arrows", "the arrows beta omega of a network's neurons at the start, at t* and at the end of training",
     "  arrows_MODEL.csv          the arrows, scaled by max |beta| |omega| over all neurons at that time\n"
     "  points_MODEL.csv          the training points\n"
     "  arrows_MODEL_verdict.csv  Lambda, and the informative inputs' share of the energy\n"
     "\n"
     "  figure_run arrows --model cylinder --d 3 --p 1000 --h 10000\n"
     "  gnuplot -e \"dir='.'; out='arrows.svg'\" examples/figures/arrows_cylinder.gp\n"
     "\n"
     "Figure 1, of the cylinder figure 6. The times that an interrupted run reached are written."},
    {"neurons", "the neurons of a network that learns the stripe, until t*, against the theory of the stripe model",
     "  neuron_vs_ode.csv    one neuron's weights: in the run, and by its equations with the noise of the run's "
     "points\n"
     "  pull.csv             d C_b + zeta C_1, whose zeros are the attractors\n"
     "  trajectories.csv     neuron vectors z, from the start to t*\n"
     "  attractors.csv       where the theory says that they go\n"
     "  neurons_verdict.csv  how many got there, and how well the equations follow the run\n"
     "\n"
     "  figure_run neurons --p 10000 --h 1000 --neuron 0\n"
     "  gnuplot -e \"dir='.'; out='neurons.svg'\" examples/figures/neurons.gp\n"
     "\n"
     "Figure 3. Nothing is written where t* is not reached."},
    {"fit", "the predictor along x_1 and the neurons of a network that learns the stripe, at three times",
     "  predictor.csv  F along x_1, the other inputs 0, at the three times\n"
     "  zeta.csv       where every neuron's kink crosses the x_1 axis, and |beta| |omega|, at the three times\n"
     "  curves.csv     loss, test error and Lambda in time\n"
     "  times.csv      the three times\n"
     "\n"
     "  figure_run fit --p 10000 --h 1000\n"
     "  gnuplot -e \"dir='.'; out='fit.svg'\" examples/figures/fit.gp\n"
     "\n"
     "Figure 4. The times that an interrupted run reached are written."},
    {NULL, NULL, NULL}};

static const program description = {
    "figure_run",
    "what one run of training shows: the CSVs of figures 1, 3, 4 and 6",
    "  figure_run arrows|neurons|fit [options]",
    "Ctrl-C ends the run early, a second one the program.\n"
    "\n"
    "Exit status: 0 done; 1 t* was not reached; 2 bad input, or a file cannot be written; 3 interrupted.",
    modes,
    options,
    OPTIONS};

static const char *model_of(const arguments *a) { return a->model == INVMAN_CYLINDER ? "cylinder" : "stripe"; }

/* ---- a run */

/* The network at one of the times that are compared; of size 0 where that was not reached. */
enum { START, TSTAR, MIDDLE, END, STAGES };
static const char *const stage_name[STAGES] = {"start", "tstar", "middle", "end"};
typedef struct stage {
  invman_net net;
  invman_flow_info info;
} stage;

typedef struct series {
  double *v; /* (rows, columns) */
  size_t rows, capacity;
} series;

typedef struct run run;
typedef struct figure {
  const char *const *files; /* MODEL stands for the model; NULL after the last */
  size_t neurons;           /* where no other number is given */
  int until_t_star;         /* it ends at t*, and has nothing to show where that is not reached */
  void (*note)(run *r, const invman_flow_info *info); /* at the start and after each step */
  void (*finish)(const run *r);                       /* shows and writes what came out */
} figure;

struct run {
  int mode;
  const figure *figure;
  invman_context ctx;
  arguments a;
  invman_data train, test;
  invman_net net;
  invman_flow_info info;
  size_t *chosen; /* (neurons) */
  stage stage[STAGES];
  series time;  /* of the neurons noted, in units of h, as in the theory */
  series noted; /* a row each step: neurons (neurons + 1, d + 2): omega, b, beta; fit (MEASURES) */
};

/* The command that makes the file again, the version that made it, and how far it came. */
static void put_parameters(text *t, const run *r) {
  const arguments *a = &r->a;
  size_t i;
  put(t, "# figure_run %s", modes[r->mode].name);
  for (i = 0; i < OPTIONS; i++) {
    const option *o = &options[i];
    if (!(o->modes == 0 || o->modes >> r->mode & 1)) continue;
    if (o->read == read_word) put(t, " %s %s", o->flag, model_of(a));
    if (o->read == read_whole) put(t, " %s %lu", o->flag, (unsigned long)*(const size_t *)o->place);
    if (o->read == read_positive && *(const double *)o->place > 0)
      put(t, " %s %.15g", o->flag, *(const double *)o->place);
  }

  put(t, "\n# invman.h %d.%d.%d; ", INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
  if (r->mode == ARROWS) put(t, "hinge loss; d_par = %lu", (unsigned long)a->d_par);
  else put(t, "stripe -0.3 < x_1 < %.15g; hinge loss", invman_equiprobable_x_max(-0.3));
  put(t, "; tau = h sqrt(d/2) = %.9g\n", a->tau);
  if (r->info.end == INVMAN_END_PROGRESS) put(t, "# interrupted at t/tau = %.9g, before the end\n", r->info.t / a->tau);
}

/* ---- files */

static char *path_of(const arguments *a, const char *name) {
  const char *mark = strstr(name, "MODEL");
  int head = mark ? (int)(mark - name) : (int)strlen(name);
  text t = {NULL, 0, 0};
  put(&t, "%s/%.*s%s%s", a->out, head, name, mark ? model_of(a) : "", mark ? mark + 5 : "");
  return t.at;
}

static void check_files_of(const run *r) {
  const char *const *name = r->figure->files;
  need_folder(r->a.out);
  for (; *name; name++) {
    char *path = path_of(&r->a, *name);
    check_writable(path);
    free(path);
  }
}

/* The first lines of a file say how it was made, the next one, `about`, what it holds. */
static text begin_file(const run *r, const char *about) {
  text t = {NULL, 0, 0};
  put_parameters(&t, r);
  put(&t, "# %s\n", about);
  return t;
}

static void end_file(const run *r, const char *name, text *t) {
  char *path = path_of(&r->a, name);
  if (save(path, t)) show("%-12s %s\n", "written", path);
  free(path);
}

static void put_values(text *t, const double *v, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) put(t, ",%.9g", v[i]);
}

/* name_1 to name_d, a comma before each */
static void put_names(text *t, const char *name, const char *tail, size_t d) {
  size_t i;
  for (i = 1; i <= d; i++) put(t, ",%s_%lu%s", name, (unsigned long)i, tail);
}

/* ---- training */

static invman_data draw(const run *r, size_t n, uint64_t stream, const char *about) {
  invman_data_model model;
  memset(&model, 0, sizeof model);
  model.kind = r->a.model;
  model.d = r->a.d;
  return sample(&r->ctx, &model, n, r->a.seed, stream, about);
}

/* `neurons` of h, drawn without repetition: any first few of them are a random choice too. */
static size_t *choose_neurons(const arguments *a) {
  enum { STREAM_CHOICE = 5 };
  size_t *all = (size_t *)zeros(a->h, 1, sizeof(size_t)), i;
  invman_rng rng;
  invman_rng_seed(&rng, a->seed, STREAM_CHOICE);
  for (i = 0; i < a->h; i++) all[i] = i;
  for (i = 0; i < a->neurons; i++) {
    size_t j = i + (size_t)(invman_rng_uniform(&rng) * (double)(a->h - i)), kept = all[i];
    all[i] = all[j];
    all[j] = kept;
  }
  return all;
}

/* One more row, to be filled. */
static double *add_row(series *s, size_t columns) {
  if (s->rows == s->capacity) s->v = (double *)enlarge(s->v, &s->capacity, columns * sizeof(double));
  return s->v + columns * s->rows++;
}

/* The first moment counts. */
static void keep_stage(run *r, int which, const invman_flow_info *info) {
  stage *s = &r->stage[which];
  if (s->net.h > 0) return;
  s->info = *info;
  check(invman_net_copy(&r->ctx, &r->net, &s->net), "network");
}

static void note_stages(run *r, const invman_flow_info *info) {
  keep_stage(r, START, info);
  if (info->t_star > 0) keep_stage(r, TSTAR, info);
}

static int report(const invman_flow_info *info, const invman_net *net, void *user) {
  run *r = (run *)user;
  (void)net;
  r->figure->note(r, info);
  begin_stage(0, 1, "t/tau %-10.4g Lambda %-8.4g satisfied", info->t / r->a.tau, info->lambda);
  return r->figure->until_t_star && info->t_star > 0;
}

static void train_network(run *r) {
  const arguments *a = &r->a;
  invman_flow_options o;
  memset(&o, 0, sizeof o);
  o.alpha = a->alpha;
  o.rotation_tol = o.margin_tol = a->tol;
  o.t_max = a->t_max * a->tau;
  o.d_par = a->d_par;
  o.test = a->test_size > 0 ? &r->test : NULL;
  o.report = report;
  o.user = r;

  r->net = new_net(&r->ctx, a->h, a->d, a->seed);
  r->figure->note(r, &r->info);
  check(invman_train(&r->ctx, &r->net, &r->train, &o, &r->info), "training");
  if (r->info.end != INVMAN_END_PROGRESS) keep_stage(r, END, &r->info);
}

/* ---- what the figures share */

static double t_over_tau(const run *r, int which) { return r->stage[which].info.t / r->a.tau; }

static double arrow_length(const invman_net *net, size_t n) { /* |beta| |omega| */
  const double *w = net->w + n * net->d;
  double square = 0;
  size_t i;
  for (i = 0; i < net->d; i++) square += w[i] * w[i];
  return fabs(net->beta[n]) * sqrt(square);
}

static double longest_arrow(const invman_net *net) {
  double most = 0;
  size_t n;
  for (n = 0; n < net->h; n++) most = fmax(most, arrow_length(net, n));
  return most;
}

static void show_status(const run *r) {
  show("%-12s %s: %s\n", "status", invman_status_string(r->info.status), end_string(r->info.end));
}

/* ---- arrows */

/* sum beta^2 |omega_par|^2 / sum beta^2 |omega|^2 */
static double informative_share(const invman_net *net, size_t d_par) {
  double part = 0, all = 0;
  size_t n, i;
  for (n = 0; n < net->h; n++)
    for (i = 0; i < net->d; i++) {
      double v = net->beta[n] * net->w[n * net->d + i];
      all += v * v;
      part += i < d_par ? v * v : 0;
    }
  return part / all;
}

static void put_arrows(text *t, const run *r, int which) {
  const invman_net *net = &r->stage[which].net;
  size_t d = net->d, k, i;
  double *z = numbers(net->h, d), scale = 1 / longest_arrow(net);
  invman_neuron_vectors(net, z);
  for (k = 0; k < r->a.neurons; k++) {
    size_t n = r->chosen[k];
    put(t, "%s,%.9g,%lu", stage_name[which], t_over_tau(r, which), (unsigned long)n);
    for (i = 0; i < d; i++) put(t, ",%.9g", scale * net->beta[n] * net->w[n * d + i]);
    put_values(t, z + n * d, d);
    put(t, "\n");
  }
  free(z);
}

static void write_arrows(const run *r) {
  text t = begin_file(r, "arrow: beta omega / max |beta| |omega|; z: neuron vector -sqrt(d) b omega/|omega|^2");
  int i;
  put(&t, "stage,t_over_tau,neuron");
  put_names(&t, "arrow", "", r->a.d);
  put_names(&t, "z", "", r->a.d);
  put(&t, "\n");
  for (i = 0; i < STAGES; i++)
    if (r->stage[i].net.h > 0) put_arrows(&t, r, i);
  end_file(r, "arrows_MODEL.csv", &t);
}

static void write_points(const run *r) {
  const invman_data *data = &r->train;
  text t = begin_file(r, "the training points, normal with standard deviation 1 in every input");
  size_t i;
  put(&t, "label");
  put_names(&t, "x", "", data->d);
  put(&t, "\n");
  for (i = 0; i < data->n; i++) {
    put(&t, "%d", data->y[i] > 0 ? 1 : -1);
    put_values(&t, data->x + i * data->d, data->d);
    put(&t, "\n");
  }
  end_file(r, "points_MODEL.csv", &t);
}

static void write_shares(const run *r) {
  text t = begin_file(r, "share: sum beta^2 |omega_par|^2 / sum beta^2 |omega|^2 over all neurons");
  int i;
  put(&t, "stage,t_over_tau,lambda,informative_energy_share\n");
  for (i = 0; i < STAGES; i++) {
    const invman_net *net = &r->stage[i].net;
    if (net->h > 0)
      put(&t, "%s,%.9g,%.9g,%.9g\n", stage_name[i], t_over_tau(r, i), invman_amplification(net, r->a.d_par),
          informative_share(net, r->a.d_par));
  }
  end_file(r, "arrows_MODEL_verdict.csv", &t);
}

static void finish_arrows(const run *r) {
  int i;
  show_status(r);
  show("%-12s %-12s %-12s %s\n", "", "t/tau", "Lambda", "informative share of the energy");
  for (i = 0; i < STAGES; i++) {
    const invman_net *net = &r->stage[i].net;
    if (net->h > 0)
      show("%-12s %-12.6g %-12.4g %.6f\n", stage_name[i], t_over_tau(r, i), invman_amplification(net, r->a.d_par),
           informative_share(net, r->a.d_par));
  }
  write_arrows(r);
  write_points(r);
  write_shares(r);
}

/* ---- neurons: the one that is compared, then those drawn at random */

enum { MOST_ATTRACTORS = 16 };

typedef struct attractors {
  invman_fixed_point at[MOST_ATTRACTORS];
  size_t count;
} attractors;

typedef struct verdict {
  double t_star;              /* in units of tau */
  double near_share, near_by; /* neurons at an attractor: weighted by |beta| |omega|, and counted */
  double share[MOST_ATTRACTORS], by[MOST_ATTRACTORS]; /* the same for each attractor */
  double followed;    /* neurons drawn whose omega_1 and beta the equations follow within 0.1 until 0.9 t* */
  double *difference; /* (d + 2) the same for the one compared: omega, b, beta */
} verdict;

static void note_neurons(run *r, const invman_flow_info *info) {
  const invman_net *net = &r->net;
  size_t d = net->d, k, i;
  double *state = add_row(&r->noted, (r->a.neurons + 1) * (d + 2));
  *add_row(&r->time, 1) = info->t / (double)net->h;
  for (k = 0; k <= r->a.neurons; k++, state += d + 2) {
    size_t n = k == 0 ? r->a.neuron : r->chosen[k - 1];
    for (i = 0; i < d; i++) state[i] = net->w[n * d + i];
    state[d] = net->b[n];
    state[d + 1] = net->beta[n];
  }
}

static const double *state_of(const run *r, size_t step, size_t k) {
  return r->noted.v + (step * (r->a.neurons + 1) + k) * (r->a.d + 2);
}

static double step_over_tau(const run *r, size_t step) { return r->time.v[step] * (double)r->a.h / r->a.tau; }

static void neuron_vector(const double *state, size_t d, double *z) {
  double square = 0;
  size_t i;
  for (i = 0; i < d; i++) square += state[i] * state[i];
  for (i = 0; i < d; i++) z[i] = -sqrt((double)d) * state[d] * state[i] / square;
}

/* How far the neuron vector is from the attractors of its sign of omega_1; `nearest`: which one is meant. */
static double attractor_distance(const attractors *s, const double *z, size_t d, double omega_1, size_t *nearest) {
  double least = HUGE_VAL, perp = 0;
  int sign = omega_1 < 0 ? -1 : 1;
  size_t k, i;
  for (i = 1; i < d; i++) perp += z[i] * z[i];
  for (k = 0; k < s->count; k++) {
    double along = z[0] - s->at[k].z, distance = sqrt(along * along + perp);
    if (s->at[k].sign != sign || !(distance < least)) continue;
    least = distance;
    *nearest = k;
  }
  return least;
}

static void count_arrived(const run *r, const attractors *s, verdict *v) {
  const invman_net *net = &r->net;
  size_t d = net->d, n, nearest = 0;
  double *z = numbers(net->h, d), all = 0;
  invman_neuron_vectors(net, z);
  for (n = 0; n < net->h; n++) {
    int arrived = attractor_distance(s, z + n * d, d, net->w[n * d], &nearest) < r->a.distance;
    double weight = arrow_length(net, n);
    all += weight;
    v->share[nearest] += arrived ? weight : 0;
    v->by[nearest] += arrived ? 1 / (double)net->h : 0;
  }
  for (n = 0; n < s->count; n++) {
    v->share[n] /= all;
    v->near_share += v->share[n];
    v->near_by += v->by[n];
  }
  free(z);
}

/* Neuron k by Eq. (5) and (7), with the points' noise at the attractor that it is next to at t*. ode (steps,d+2). */
static void follow(const run *r, const attractors *s, size_t k, double *ode) {
  size_t d = r->a.d, steps = r->time.rows, nearest = 0;
  const double *end = state_of(r, steps - 1, k);
  double *z = numbers(d, 1), *noise = numbers(d + 1, 1);
  neuron_vector(end, d, z);
  attractor_distance(s, z, d, end[0], &nearest);
  invman_stripe_noise(&r->train, NULL, 0, s->at[nearest].z, s->at[nearest].sign, noise);
  check(invman_stripe_noisy_ode(&r->ctx, NULL, 0, d, state_of(r, 0, k), noise, r->time.v, steps, ode),
        "neuron equations");
  free(noise);
  free(z);
}

/* The largest difference of component `c` over the first n times, as a share of its largest value. */
static double relative_difference(const run *r, const double *ode, size_t n, size_t k, size_t c) {
  double worst = 0, size = 0;
  size_t s;
  for (s = 0; s < n; s++) {
    double real = state_of(r, s, k)[c];
    worst = fmax(worst, fabs(ode[s * (r->a.d + 2) + c] - real));
    size = fmax(size, fabs(real));
  }
  return worst / size;
}

/* ode (steps,d+2) out: the first neuron's */
static void compare(const run *r, const attractors *s, double *ode, verdict *v) {
  size_t d = r->a.d, n = r->time.rows, k, c;
  while (n > 1 && r->time.v[n - 1] * (double)r->a.h > 0.9 * v->t_star * r->a.tau) n--;
  for (k = r->a.neurons; k > 0; k--) {
    follow(r, s, k, ode);
    if (relative_difference(r, ode, n, k, 0) < 0.1 && relative_difference(r, ode, n, k, d + 1) < 0.1)
      v->followed += 1 / (double)r->a.neurons;
  }
  follow(r, s, 0, ode);
  for (c = 0; c < d + 2; c++) v->difference[c] = relative_difference(r, ode, n, 0, c);
}

static void show_neurons(const run *r, const attractors *s, const verdict *v) {
  const double *off = v->difference;
  size_t d = r->a.d, k;
  show("%-12s %.6g\n", "t*/tau", v->t_star);
  for (k = 0; k < s->count; k++)
    show("%-12s z = %.6f, omega_1 %c 0, C_1 = %.6f, tau*/tau = %.4f: %.3f of the neurons\n", "attractor", s->at[k].z,
         s->at[k].sign > 0 ? '>' : '<', s->at[k].c1, s->at[k].time, v->by[k]);
  show("%-12s %.4f of the weight |beta| |omega| within %g of one of them, %.3f of the neurons\n", "arrived",
       v->near_share, r->a.distance, v->near_by);
  show("%-12s off by", "neuron");
  for (k = 0; k < d; k++) show(" omega_%lu %.2f %%", (unsigned long)k + 1, 100 * off[k]);
  show(" b %.2f %% beta %.2f %% until 0.9 t*\n", 100 * off[d], 100 * off[d + 1]);
  show("%-12s %.2f of %lu neurons within 10 %% in omega_1 and beta\n", "followed", v->followed,
       (unsigned long)r->a.neurons);
}

static void write_neuron(const run *r, const double *ode) {
  text t = begin_file(r, "the weights of one neuron: in the run, and by Eq. (5) and (7), _ode");
  size_t d = r->a.d, s;
  put(&t, "t_over_tau");
  put_names(&t, "omega", "", d);
  put(&t, ",b,beta");
  put_names(&t, "omega", "_ode", d);
  put(&t, ",b_ode,beta_ode\n");
  for (s = 0; s < r->time.rows; s++) {
    put(&t, "%.9g", step_over_tau(r, s));
    put_values(&t, state_of(r, s, 0), d + 2);
    put_values(&t, ode + s * (d + 2), d + 2);
    put(&t, "\n");
  }
  end_file(r, "neuron_vs_ode.csv", &t);
}

/* d C_b + zeta C_1, and whether omega_1 outgrows omega_perp where a neuron stays at zeta, a comma before each. */
static void put_pull(text *t, size_t d, double zeta, int sign) {
  double c1, cb;
  int consistent;
  invman_stripe_integrals(NULL, 0, zeta, sign, &c1, &cb);
  consistent =
      sign * c1 * invman_stripe_label(NULL, 0, zeta) < 0 || fabs(c1) > 0.39894228040143267794 * exp(-0.5 * zeta * zeta);
  put(t, ",%.9g,%d", (double)d * cb + zeta * c1, consistent);
}

static void write_pull(const run *r) {
  text t = begin_file(r, "pull: d C_b + zeta C_1, plus: omega_1 > 0; consistent: 1 where lambda grows without limit");
  int i;
  put(&t, "zeta,pull_plus,consistent_plus,pull_minus,consistent_minus\n");
  for (i = -300; i <= 300; i++) {
    put(&t, "%.9g", i / 100.0);
    put_pull(&t, r->a.d, i / 100.0, 1);
    put_pull(&t, r->a.d, i / 100.0, -1);
    put(&t, "\n");
  }
  end_file(r, "pull.csv", &t);
}

static void write_trajectories(const run *r) {
  text t = begin_file(r, "z: neuron vector -sqrt(d) b omega/|omega|^2");
  size_t d = r->a.d, k, s;
  double *z = numbers(d, 1);
  put(&t, "neuron,t_over_tau");
  put_names(&t, "z", "", d);
  put(&t, "\n");
  for (k = 0; k < r->a.neurons; k++)
    for (s = 0; s < r->time.rows; s++) {
      neuron_vector(state_of(r, s, k + 1), d, z);
      put(&t, "%lu,%.9g", (unsigned long)r->chosen[k], step_over_tau(r, s));
      put_values(&t, z, d);
      put(&t, "\n");
    }
  end_file(r, "trajectories.csv", &t);
  free(z);
}

static void write_attractors(const run *r, const attractors *s) {
  text t = begin_file(r, "the attractors (z,0..); sign of omega_1; weights grow as exp(t/taustar)");
  size_t k;
  put(&t, "z,sign,C_1,taustar_over_tau\n");
  for (k = 0; k < s->count; k++) put(&t, "%.9g,%d,%.9g,%.9g\n", s->at[k].z, s->at[k].sign, s->at[k].c1, s->at[k].time);
  end_file(r, "attractors.csv", &t);
}

/* `index` 0: the name has none; `least` 0: nothing is predicted. */
static void put_row(text *t, const char *name, size_t index, double value, double least) {
  put(t, "%s", name);
  if (index > 0) put(t, "_%lu", (unsigned long)index);
  put(t, ",%.9g,", value);
  if (least > 0) put(t, "%.9g,%s", least, value >= least ? "yes" : "no");
  else put(t, ",");
  put(t, "\n");
}

static void write_verdict(const run *r, const attractors *s, const verdict *v) {
  text t = begin_file(
      r, "at attractors: share by |beta| |omega|, count; difference: run - equations, largest until 0.9 t*\n"
         "# followed: those within 0.1 in omega_1 and beta; the equations have the points' fluctuation at the "
         "attractor,\n# not the one on the way there");
  size_t d = r->a.d, i;
  put(&t, "quantity,value,floor,holds\n");
  put_row(&t, "tstar_over_tau", 0, v->t_star, 0);
  put_row(&t, "share_at_attractors", 0, v->near_share, 0.9);
  put_row(&t, "count_at_attractors", 0, v->near_by, 0);
  for (i = 0; i < s->count; i++) put_row(&t, "share_at_attractor", i + 1, v->share[i], 0);
  for (i = 0; i < s->count; i++) put_row(&t, "count_at_attractor", i + 1, v->by[i], 0);
  put_row(&t, "share_followed", 0, v->followed, 0);
  for (i = 0; i < d; i++) put_row(&t, "difference_omega", i + 1, v->difference[i], 0);
  put_row(&t, "difference_b", 0, v->difference[d], 0);
  put_row(&t, "difference_beta", 0, v->difference[d + 1], 0);
  end_file(r, "neurons_verdict.csv", &t);
}

static void finish_neurons(const run *r) {
  double *ode = numbers(r->time.rows, r->a.d + 2);
  attractors s;
  verdict v;
  memset(&s, 0, sizeof s);
  memset(&v, 0, sizeof v);
  v.t_star = r->info.t_star / r->a.tau;
  v.difference = numbers(r->a.d + 2, 1);
  check(invman_stripe_fixed_points(NULL, 0, r->a.d, s.at, MOST_ATTRACTORS, &s.count), "attractors");
  count_arrived(r, &s, &v);
  compare(r, &s, ode, &v);
  show_neurons(r, &s, &v);
  write_neuron(r, ode);
  write_pull(r);
  write_trajectories(r);
  write_attractors(r, &s);
  write_verdict(r, &s, &v);
  free(v.difference);
  free(ode);
}

/* ---- fit */

enum { GRID = 601, MEASURES = 4 };

static void measure(const run *r, const invman_flow_info *info, double out[MEASURES]) {
  out[0] = info->t / r->a.tau;
  out[1] = info->loss;
  out[2] = info->test_error;
  out[3] = info->lambda;
}

static void note_fit(run *r, const invman_flow_info *info) {
  note_stages(r, info);
  if (info->step == 0) return;
  measure(r, info, add_row(&r->noted, MEASURES));
  if (info->loss <= r->a.middle) keep_stage(r, MIDDLE, info);
}

static double grid_point(size_t i) { return ((double)i - (GRID - 1) / 2) / 100; } /* from x_1 = -3 to 3 */

/* F = alpha (f - f_0) along x_1 */
static void predict_along_axis(const run *r, const invman_net *net, double F[GRID]) {
  double *x = numbers(GRID, net->d), f_0[GRID];
  size_t i;
  for (i = 0; i < GRID; i++) x[i * net->d] = grid_point(i);
  check(invman_net_eval(&r->ctx, &r->stage[START].net, x, GRID, f_0), "prediction");
  check(invman_net_eval(&r->ctx, net, x, GRID, F), "prediction");
  for (i = 0; i < GRID; i++) F[i] = r->a.alpha * (F[i] - f_0[i]);
  free(x);
}

static void show_fit(const run *r, double F[STAGES][GRID]) {
  int k;
  show_status(r);
  if (r->info.t_star > 0) show("%-12s %.6g\n", "t*/tau", r->info.t_star / r->a.tau);
  else show("%-12s not reached\n", "t*/tau");
  show("%-12s %-12s %-12s %-12s %-12s %s\n", "", "t/tau", "train loss", "test error", "Lambda", "largest |F|");
  for (k = TSTAR; k < STAGES; k++) {
    double v[MEASURES], most = 0;
    size_t i;
    if (r->stage[k].net.h == 0) continue;
    measure(r, &r->stage[k].info, v);
    for (i = 0; i < GRID; i++) most = fmax(most, fabs(F[k][i]));
    show("%-12s %-12.6g %-12.4g %-12.4g %-12.4g %.4g\n", stage_name[k], v[0], v[1], v[2], v[3], most);
  }
}

static void write_predictor(const run *r, double F[STAGES][GRID]) {
  text t = begin_file(r, "F at (x_1, 0..); nan: this time was not reached");
  size_t i;
  int k;
  put(&t, "x_1,F_tstar,F_middle,F_end\n");
  for (i = 0; i < GRID; i++) {
    put(&t, "%.9g", grid_point(i));
    for (k = TSTAR; k < STAGES; k++) {
      if (r->stage[k].net.h > 0) put_values(&t, &F[k][i], 1);
      else put(&t, ",nan");
    }
    put(&t, "\n");
  }
  end_file(r, "predictor.csv", &t);
}

static void write_zeta(const run *r) {
  text t = begin_file(r, "zeta_1: -sqrt(d) b/omega_1; weight: |beta| |omega|, the largest at that time is 1");
  size_t d = r->a.d, n;
  int k;
  put(&t, "stage,neuron,zeta_1,weight\n");
  for (k = TSTAR; k < STAGES; k++) {
    const invman_net *net = &r->stage[k].net;
    double most = longest_arrow(net);
    for (n = 0; n < net->h; n++)
      put(&t, "%s,%lu,%.9g,%.9g\n", stage_name[k], (unsigned long)n, -sqrt((double)d) * net->b[n] / net->w[n * d],
          arrow_length(net, n) / most);
  }
  end_file(r, "zeta.csv", &t);
}

static void write_curves(const run *r) {
  text t = begin_file(r, "train_loss: mean hinge loss; test_error: share of wrong test points");
  size_t s;
  put(&t, "t_over_tau,train_loss,test_error,lambda\n");
  for (s = 0; s < r->noted.rows; s++) {
    const double *v = r->noted.v + MEASURES * s;
    put(&t, "%.9g,%.9g,%.9g,%.9g\n", v[0], v[1], v[2], v[3]);
  }
  end_file(r, "curves.csv", &t);
}

static void write_times(const run *r) {
  text t = begin_file(r, "the three times: the first step after t*, the middle one, the end");
  int k;
  put(&t, "stage,t_over_tau,train_loss,test_error,lambda,tstar_over_tau\n");
  for (k = TSTAR; k < STAGES; k++) {
    double v[MEASURES];
    if (r->stage[k].net.h == 0) continue;
    measure(r, &r->stage[k].info, v);
    put(&t, "%s", stage_name[k]);
    put_values(&t, v, MEASURES);
    put(&t, ",%.9g\n", r->info.t_star / r->a.tau);
  }
  end_file(r, "times.csv", &t);
}

static void finish_fit(const run *r) {
  double F[STAGES][GRID];
  int k;
  for (k = TSTAR; k < STAGES; k++)
    if (r->stage[k].net.h > 0) predict_along_axis(r, &r->stage[k].net, F[k]);
  show_fit(r, F);
  write_predictor(r, F);
  write_zeta(r);
  write_curves(r);
  write_times(r);
}

/* ---- the program */

static const char *const arrows_files[] = {"arrows_MODEL.csv", "points_MODEL.csv", "arrows_MODEL_verdict.csv", NULL};
static const char *const neurons_files[] = {"neuron_vs_ode.csv",   "pull.csv", "trajectories.csv", "attractors.csv",
                                            "neurons_verdict.csv", NULL};
static const char *const fit_files[] = {"predictor.csv", "zeta.csv", "curves.csv", "times.csv", NULL};

static const figure figures[FIGURES] = {{arrows_files, 300, 0, note_stages, finish_arrows},
                                        {neurons_files, 100, 1, note_neurons, finish_neurons},
                                        {fit_files, 0, 0, note_fit, finish_fit}};

static void complete(arguments *a, const figure *f) {
  a->d_par = a->model == INVMAN_CYLINDER ? 2 : 1;
  if (a->d == 0) a->d = a->d_par + 1;
  if (a->d <= a->d_par) fail("--d must be at least %lu", (unsigned long)a->d_par + 1);
  if (a->neuron >= a->h) fail("--neuron must be below --h, %lu", (unsigned long)a->h);
  if (a->neurons > a->h) fail("--neurons: there are only %lu", (unsigned long)a->h);
  if (a->neurons == 0) a->neurons = a->h < f->neurons ? a->h : f->neurons;
  a->tau = (double)a->h * sqrt((double)a->d / 2);
}

/* Says where the run ended too early; shows and writes what it reached. Returns the exit status. */
static int conclude(const run *r) {
  int stopped = r->info.end == INVMAN_END_PROGRESS, reached = r->info.t_star > 0;
  int usable = reached || !r->figure->until_t_star;
  const char *rest = usable ? "" : "; nothing is written";
  if (stopped)
    show("stopped: at t/tau = %.6g, with %lu of %lu points satisfied; later times are not known%s\n",
         r->info.t / r->a.tau, (unsigned long)(r->a.p - r->info.unsatisfied), (unsigned long)r->a.p, rest);
  else if (!reached) warn("t* was not reached%s", rest);
  if (usable) r->figure->finish(r);
  return !stopped && !reached;
}

static void free_run(run *r) {
  int i;
  for (i = 0; i < STAGES; i++) invman_net_free(&r->ctx, &r->stage[i].net);
  free(r->time.v);
  free(r->noted.v);
  free(r->chosen);
  invman_net_free(&r->ctx, &r->net);
  invman_data_free(&r->ctx, &r->train);
  invman_data_free(&r->ctx, &r->test);
}

static void prepare(run *r, int argc, char **argv) {
  memset(r, 0, sizeof *r);
  r->mode = start(argc, argv, &description);
  r->figure = &figures[r->mode];
  complete(&asked, r->figure);
  r->a = asked;
  r->ctx.error = &error;
  r->ctx.progress = progress;
  check_files_of(r);
  r->train = draw(r, r->a.p, INVMAN_STREAM_TRAIN, "training points");
  if (r->a.test_size > 0) r->test = draw(r, r->a.test_size, INVMAN_STREAM_TEST, "test points");
  r->chosen = choose_neurons(&r->a);
}

int main(int argc, char **argv) {
  run r;
  int status;
  prepare(&r, argc, argv);
  show("%s, d = %lu, p = %lu, h = %lu, alpha = %g, seed %lu\n", model_of(&r.a), (unsigned long)r.a.d,
       (unsigned long)r.a.p, (unsigned long)r.a.h, r.a.alpha, (unsigned long)r.a.seed);
  begin_work();
  train_network(&r);
  status = conclude(&r);
  free_run(&r);
  return finish(status);
}
