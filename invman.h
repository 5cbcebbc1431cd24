/* invman.h - v0.8.0 - compression of invariant manifolds by neural networks - licence at the end

   The library trains  f(x) = (1/h) sum_n beta_n sigma(omega_n.x/sqrt(d) + b_n)  on labelled points by the gradient
   flow of the hinge loss, as in "Compressing invariant manifolds in neural nets" (Paccolat, Petrini, Geiger, Tyloo,
   Wyart; arXiv 2007.11471). It trains to zero loss and measures the compression Lambda (Eq. 9): how much the network
   has amplified the input directions that matter for the label. The loss and the activation have kinks, so the flow is
   a differential inclusion. The library solves it as one, from event to event; an explicit scheme would chatter at the
   kinks and make no progress. The library also covers the lazy regime: neural tangent kernels, the same flow under a
   frozen kernel (solved exactly), and measures of what a kernel's eigenvectors tell about the label. The same flow
   trains the paper's convolutional network, and any model that is given as three callbacks.

   BUILD
     In exactly one C or C++ file:   #define INVMAN_IMPLEMENTATION
                                     #include "invman.h"
     In all others:                  #include "invman.h"
     cc -O2 file.c -lm               uses wide vector units where the processor has them; nothing else is needed
     cc -O2 -fopenmp file.c -lm      uses all cores

   QUICK START
     #define INVMAN_IMPLEMENTATION
     #include "invman.h"
     #include <stdio.h>
     int main(void) {
       static invman_data_model stripe;                // all zero: the paper's single stripe
       invman_rng rng;
       invman_data train, test;
       invman_net net;
       static invman_flow_options options;             // all zero: the feature regime, alpha = 1e-6
       invman_flow_info info;
       stripe.d = 5;                                   // five dimensions; the label depends on the first alone
       invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
       if (invman_data_sample(NULL, &stripe, 400, &rng, &train) < 0) return 1;
       invman_rng_seed(&rng, 1, INVMAN_STREAM_TEST);
       if (invman_data_sample(NULL, &stripe, 5000, &rng, &test) < 0) return 1;
       invman_rng_seed(&rng, 1, INVMAN_STREAM_WEIGHTS);
       if (invman_net_init(NULL, 1000, 5, &rng, &net) < 0) return 1;
       options.test = &test;
       invman_status status = invman_train(NULL, &net, &train, &options, &info);
       printf("%s: Lambda* = %.1f, test error %.4f\n", invman_status_string(status), info.lambda_star, info.test_error);
       return status != INVMAN_OK;
     }

   CONVENTIONS (equation numbers are the paper's)
     Arrays are row-major: x is (n,d), one point a row. Reals are double, sizes size_t. "(n)" after a name is the
     array's shape, "out" an array or object that the call fills. In options, 0 stands for the default, which the
     field's comment gives as "0 = ...". Costs are multiply-adds up to a constant; memory is what a call takes beside
     its arguments.
     network        Eq. (1): z_n(x) = omega_n.x/sqrt(d) + b_n, sigma(z) = sqrt(2) max(0,z); w holds omega (h,d)
     predictor      F(x) = alpha (f(x) - f_0(x)), f_0 the network at t = 0; margin m = y F(x)
     flow           Eq. (2), (4): dW/dt = (1/p) sum_mu g_mu y_mu df/dW(x_mu). The multiplier g of a point is minus the
                    slope of the loss at its margin: for the hinge loss 1 where m < 1, 0 where m > 1, and at m = 1 the
                    value in [0,1] for which the velocity is least (Filippov's solution). While 0 < g < 1 the point
                    slides along its margin, m = 1
     kernel         Theta(x,x') = df/dW(x) . df/dW(x'), of order 1/h; under a frozen one F = sum_mu a_mu Theta(., x_mu)
     time           t as in Eq. (2); the factor 1/h in f makes t/h the natural unit, tau = h sqrt(d/2) (Eq. 5)
     lazy time      s = alpha t, for alpha -> infinity: dm_i/ds = (1/p) sum_j y_i y_j Theta(x_i,x_j) g_j
     t*             the first time at which a share of the points (0.1 by default) has m > 1
     informative    the first d_par input coordinates, on which the label depends; d_perp = d - d_par
     Lambda         Eq. (9): Lambda^2 = (d_perp/d_par) sum_n |omega_par|^2 / sum_n |omega_perp|^2, on average 1 at t = 0
     neuron vector  z = -sqrt(d) b omega/|omega|^2: the point of the neuron's hyperplane nearest to the origin

   OPTIONS (macros, to be defined before the include; defaults in square brackets)
     INVMAN_IMPLEMENTATION  adds the code; define it in one file
     INVMAN_STATIC          makes everything static, for a program of one file
     INVMAN_API             linkage of the public functions [extern]
     INVMAN_NO_SIMD         plain C without vector extensions
     INVMAN_NO_IMPLEMENTATION  cancels INVMAN_IMPLEMENTATION: for compiling a file that defines it when another object
                            already contains the code
     INVMAN_MALLOC(bytes), INVMAN_FREE(block)  the default allocator [malloc, free]
     INVMAN_USE_CBLAS       takes matrix products from the BLAS of INVMAN_CBLAS_HEADER [<cblas.h>] (OpenBLAS,
                            Accelerate), which must be linked
     INVMAN_NO_CONVNET, INVMAN_NO_DIAGNOSTICS, INVMAN_NO_THEORY, INVMAN_NO_RFM, INVMAN_NO_IO  each leaves a part out,
                            with its declarations, and so shortens compilation: the convolutional network, the
                            diagnostics, the theory of the stripe model, the learned kernels, all that reads or writes
                            files. Define them wherever the header is included
     INVMAN_PORTABLE        gives the same bits with every compiler and on every processor with IEEE doubles: products
                            are not fused with the sums they enter (7 to 55 % slower). Excepted, since they call
                            libm, are the functions listed below under theory, invman_principal_angles and
                            invman_mode_noise. On i386 it needs -msse2 -mfpmath=sse
     INVMAN_ALLOW_FAST_MATH allows -ffast-math, which is refused otherwise; NaN and infinity are then no longer found

   MEMORY
     The first argument is an invman_context where a function may allocate, use threads, be interrupted or say where an
     input is wrong; NULL stands for malloc and free. Functions of a flow or of a convolutional network go without it,
     since the object keeps the context it was made with; so do functions that need none of this: random numbers,
     names, single numbers from a formula or from one pass over an array. Objects own their memory; their _free function
     gives it back and takes the context they were made with. Freeing NULL or {0} is fine. Scratch memory is given back
     before a call returns. Beside the caller's network and data, a flow holds three copies of the weights (four, and
     p d floats, with the option `single`), at least 64 bytes for every (neuron, point) pair held at a kink, 25 MB
     for Gram matrices, and 64 min(p, 4096) doubles of partial sums. Where more than max(512, 8 sqrt(p)) points are near
     their margin in one step, as all points are under the smooth losses, the flow takes n^2 doubles for these n points.
     Gram matrices belong to the caller; what a function takes beside them is said at its declaration.

   ERRORS
     Functions return invman_status: 0 means done, a positive value usable but qualified, a negative value nothing
     usable. If context.error is given, a failing call writes there what is wrong and where: the line of a text file,
     the byte of a binary one, the element of an array. E_NONFINITE is also returned where the input is finite but an
     output overflows; the element is then the output's. A NULL pointer is E_ARG unless its comment allows NULL. Given
     NULL, a function that returns no status does nothing and returns 0 or NULL (invman_chain_depth: layers + 1).
     Outputs of a failed call are empty ({0}) or untouched. Nothing prints, exits, or keeps global state.

   THREADS
     Work runs on the threads of context.parallel_for if it is given, else of OpenMP if it is compiled in, else on one.
     Distinct objects may be used from distinct threads at once; const objects may be shared. Where other programs keep
     the cores busy, set OMP_WAIT_POLICY=passive in the environment: OpenMP's threads otherwise spin while they wait for
     each other. A process may fork between two calls. In the child, GCC's OpenMP cannot serve a thread that used it
     before the fork: in that thread the library works on one core, with the same bits, while threads that the child
     starts use all cores. The library cannot see what the caller's own code did with OpenMP before the fork: a child of
     such a parent must first call omp_set_num_threads(1), or set OMP_NUM_THREADS=1 and execute another program.

   DETERMINISM
     The same binary on the same kind of processor gives the same bits for the same input, with any number of threads;
     step sizes never depend on a clock. Random numbers, and the points and weights made of them, have the same bits on
     every IEEE platform. A run that is saved and resumed continues to the same bits.

   NUMERICS
     Each neuron moves by an exact hyperbolic rotation, which keeps beta^2 - |omega|^2 - b^2 to rounding. Within a step
     the tangent kernel is frozen as it is in the step's middle; under it the margins advance exactly, from event to
     event. A neuron that a point holds at z = 0 slides there. The error of a step is the difference between the
     network's real margins and the predicted ones.
     A sweep is p h d multiply-adds. A step costs about five sweeps while all points have g = 1, and less than one once
     most are far above their margin. A point far above is skipped for as long as a bound, added up over the steps,
     proves that it stays there (per step |f - f'| <= the mean of sqrt(2) (|beta||z - z'| + |beta - beta'||z'|), where
     primes mark values after the step). All points are looked at before a run is called finished. A model's weights
     move by the mean gradient of the step's middle; the error is of third order where f is smooth.
     The lazy flow has no step: it takes about 2 n events, each of O(n sqrt(n)). It runs in doubles as long as their
     rounding leaves the next event certain, and in twofold precision from there on, so that kernels of condition 1e12
     are solved like others. Its info holds a certificate, computed from the final coefficients and the kernel alone. A
     Gram matrix is two matrix products; no Jacobian is formed.
     Eigenvectors come from Householder tridiagonalisation with divide and conquer, the largest few from Lanczos.
     Rounding is to nearest. A processor may be told to round otherwise, or to take numbers below 2.2e-308 for zero (FTZ
     and DAZ, set by games, audio programs and -ffast-math); every call still ends. With flushing, results are as
     accurate as usual where inputs, products and results are above 1e-290 or zero; with directed rounding they are less
     accurate, or the status is NOT_CONVERGED. Bits are then the same only if all threads have the same setting. Where
     doubles are kept in wider registers (i386's x87) the code is plain C, its bits differ, and only the network is
     tested; -msse2 -mfpmath=sse has vectors and the usual bits.

   SECTIONS
     The code is divided into sections, each with a tag of the form >>name. The banner "Implementation" below lists the
     tags with what each section holds, and says where to make common changes.

   INDEX
     status    invman_status_string  invman_end_string  invman_version
     random    invman_rng_seed  invman_rng_next  invman_rng_uniform  invman_rng_normal
     data      invman_data_sample  invman_data_read_csv  invman_data_read_idx  invman_data_shuffle  invman_data_free
     network   invman_net_init  invman_net_copy  invman_net_free  invman_net_eval  invman_net_gradient
               invman_net_save  invman_net_load
     flow      invman_train  or  invman_flow_create  _step  _run  _get_info  _predict  _save  _resume  _free
     models    invman_train_model  or  invman_flow_create_model  invman_flow_resume_model; invman_model_check
               invman_convnet_model
     kernels   invman_ntk_gram  invman_ntk_gram_infinite  invman_ntk_gram_deep
     lazy      invman_lazy_train  invman_lazy_train_columns  invman_lazy_regression  invman_box_qp
     eigen     invman_eigh  invman_eigvalsh  invman_eigh_top
     measures  invman_amplification  invman_neuron_vectors  invman_kernel_pca
               invman_mutual_information  invman_mutual_information_null  invman_intrinsic_dimension  invman_duplicates
               invman_fit_power_law  invman_median_power_law  invman_beta_lazy  invman_beta_feature
     theory    invman_stripe_averages  invman_stripe_integrals  invman_stripe_label  invman_stripe_fixed_points
               invman_stripe_neuron_ode  invman_stripe_noisy_ode  invman_stripe_noise
               invman_equiprobable_x_max  invman_equiprobable_radius
     learned   invman_rfm_train  invman_rfm_predict  invman_kernel_agop
     spectrum  invman_spectral_measures  invman_von_neumann_entropy  invman_unexplained_area
     labels    invman_ridge_leverage  invman_target_alignment  invman_cumulative_power  invman_rkhs_norm
               invman_spectral_predictor  invman_nystrom_extension  invman_centred_alignment
     subspaces invman_principal_angles  invman_subspace_norms  invman_weight_covariance  invman_metric_amplification
               invman_input_gradient  invman_active_subspace  invman_stein_moments  invman_stein_directions
               invman_pullback_metric
     classes   invman_neural_collapse  invman_diffusion_entropy  invman_diffusion_information
     dimension invman_kernel_distances  invman_point_distances  invman_median_distance  invman_two_nn
               invman_local_dimension  invman_lid_distance  invman_mst_length  invman_mst_dimension
     pieces    invman_hessian_spectrum  invman_linear_regions  invman_activation_patterns  invman_region_bound
               invman_net_init_orthogonal
     mixing    invman_sinkhorn  invman_centred_singular_values  invman_mixing_measures  invman_mix_with_identity
               invman_effective_depth  invman_chain_depth  invman_layer_norm  invman_snr  invman_snr_cosine
               invman_critical_snr  invman_critical_depth  invman_cosine_bound  invman_mode_noise
     images    invman_convnet_create  invman_convnet_copy  invman_convnet_free  invman_convnet_size
               invman_convnet_weights  invman_convnet_layers  invman_convnet_get_layer  invman_convnet_eval
               invman_convnet_gradient  invman_convnet_jacobian  invman_convnet_ntk_gram
               invman_convnet_save  invman_convnet_load
     files     invman_file_create  invman_file_stream  invman_file_commit  invman_file_discard  invman_file_check */

/* Formulas use capitals as names, and many programs use them as macros. The macros are set aside here and restored at
   the end of this file. */
#if defined(__GNUC__) || defined(__clang__) || defined(_MSC_VER) || defined(__TINYC__)
#define INVMAN_I_CAPITALS
#pragma push_macro("A")
#pragma push_macro("B")
#pragma push_macro("C")
#pragma push_macro("D")
#pragma push_macro("E")
#pragma push_macro("F")
#pragma push_macro("G")
#pragma push_macro("H")
#pragma push_macro("J")
#pragma push_macro("K")
#pragma push_macro("L")
#pragma push_macro("M")
#pragma push_macro("N")
#pragma push_macro("O")
#pragma push_macro("P")
#pragma push_macro("Q")
#pragma push_macro("R")
#pragma push_macro("S")
#pragma push_macro("T")
#pragma push_macro("U")
#pragma push_macro("V")
#pragma push_macro("W")
#pragma push_macro("X")
#pragma push_macro("Y")
#pragma push_macro("Z")
#undef A
#undef B
#undef C
#undef D
#undef E
#undef F
#undef G
#undef H
#undef J
#undef K
#undef L
#undef M
#undef N
#undef O
#undef P
#undef Q
#undef R
#undef S
#undef T
#undef U
#undef V
#undef W
#undef X
#undef Y
#undef Z
#endif

#ifndef INVMAN_H
#define INVMAN_H

#define INVMAN_VERSION_MAJOR 0
#define INVMAN_VERSION_MINOR 8
#define INVMAN_VERSION_PATCH 0
#define INVMAN_VERSION       (INVMAN_VERSION_MAJOR * 10000 + INVMAN_VERSION_MINOR * 100 + INVMAN_VERSION_PATCH)

#include <stddef.h>
#include <stdint.h>

/* ------------------------------------------------------------------------------------------------ config */

#ifndef INVMAN_API
#if defined(INVMAN_STATIC) && defined(__GNUC__)
#define INVMAN_API static __attribute__((unused))
#elif defined(INVMAN_STATIC)
#define INVMAN_API static
#else
#define INVMAN_API extern
#endif
#endif

#ifdef __cplusplus
extern "C" { /* whatever INVMAN_API is */
#endif

/* ------------------------------------------------------------------------------------------------ status */

/* 0 is done; a positive status means a result that is usable but qualified, a negative one no usable result. */
#define INVMAN_STATUS_LIST(X)                                                                                     \
  X(INVMAN_OK, 0, "done")                                                                                         \
  X(INVMAN_STOPPED, 1, "stopped before its end, by a limit or by the caller")                                     \
  X(INVMAN_NOT_SEPARABLE, 2, "at rest at a loss above zero: the flow separates these labels no further")          \
  X(INVMAN_NOT_CONVERGED, 3, "not converged: rounding, or a cap on the work, leaves it less accurate than asked") \
  X(INVMAN_E_ARG, -1, "invalid argument")                                                                         \
  X(INVMAN_E_SIZE, -2, "sizes too large: their product overflows")                                                \
  X(INVMAN_E_NOMEM, -3, "out of memory")                                                                          \
  X(INVMAN_E_NONFINITE, -4, "NaN or infinity, in the input or in a result")                                       \
  X(INVMAN_E_IO, -5, "a file could not be opened, read or written")                                               \
  X(INVMAN_E_FORMAT, -6, "a file does not hold what it should")

#define INVMAN_I_ENUM(name, value, text) name = value,
typedef enum invman_status { INVMAN_STATUS_LIST(INVMAN_I_ENUM) } invman_status;
#undef INVMAN_I_ENUM

INVMAN_API const char *invman_status_string(invman_status status); /* a static string, never NULL */
INVMAN_API int invman_version(void); /* INVMAN_VERSION of the compiled code: 10000 major + 100 minor + patch */

/* ----------------------------------------------------------------------------------------------- context */

/* What went wrong and where. A call that returns a negative status may write it; no other call touches it. */
typedef struct invman_error {
  const char *what; /* a static string */
  const char *unit; /* what `place` counts: "line" (from 1), "byte", "element" (from 0), "bytes wanted", or "" */
  size_t place;
} invman_error;

/* Where memory, threads and interruption come from. NULL and {0} stand for malloc, OpenMP if compiled in, and none. */
typedef struct invman_context {
  void *(*alloc)(size_t bytes, void *user); /* give alloc and release together; one thread at a time calls them */
  void (*release)(void *block, size_t bytes, void *user);
  /* Calls task(i, arg) for every i < tasks, in any order, on any threads, and returns when all are done. */
  void (*parallel_for)(size_t tasks, void (*task)(size_t which, void *arg), void *arg, void *user);
  /* Is called now and then during long work; `done` is in 0..1, or below 0 if unknown. Nonzero asks to stop. */
  int (*progress)(const char *stage, double done, void *user);
  void *user;          /* is handed to all of the above */
  invman_error *error; /* one per thread; may be NULL; a flow keeps the pointer */
  int vector_bits;     /* the widest vectors to use: 512, 256 or 128 bits; 0 = the widest that the processor has */
} invman_context;

/* ---------------------------------------------------------------------------------------- random numbers */

/* The generator xoshiro256++, passed by value: it has no global state and gives the same numbers on every platform. */
typedef struct invman_rng {
  uint64_t state[4];
} invman_rng;

/* One stream per purpose: runs that share a seed then share nothing else. Any other number is a stream too. */
enum { INVMAN_STREAM_TRAIN = 1, INVMAN_STREAM_TEST = 2, INVMAN_STREAM_KERNEL = 3, INVMAN_STREAM_WEIGHTS = 4 };

INVMAN_API void invman_rng_seed(invman_rng *rng, uint64_t seed, uint64_t stream);
INVMAN_API uint64_t invman_rng_next(invman_rng *rng);  /* 64 random bits */
INVMAN_API double invman_rng_uniform(invman_rng *rng); /* in [0,1), a multiple of 2^-53; takes one draw */
INVMAN_API double invman_rng_normal(invman_rng *rng);  /* N(0,1), |value| < 8.3; takes one draw */

/* -------------------------------------------------------------------------------------------------- data */

/* n labelled points. A set may be a view of another one (x + k*d, y + k); only the owner is freed. */
typedef struct invman_data {
  size_t n, d;
  double *x; /* (n,d) */
  double *y; /* (n) -1 or +1 */
} invman_data;

enum { INVMAN_STRIPE = 0, INVMAN_CYLINDER = 1, INVMAN_CUSTOM = 2 };

/* Points from N(0, 1_d), labelled by their first d_par coordinates. {0} with d set is the paper's single stripe. */
typedef struct invman_data_model {
  int kind;        /* INVMAN_STRIPE, INVMAN_CYLINDER or INVMAN_CUSTOM */
  size_t d, d_par; /* d_par <= d; 0 = 1 for stripes, 2 for cylinders, d for custom labels */
  /* Stripes: the increasing x_1 at which the label changes; it is +1 left of the first. NULL = {-0.3, 1.1854923327...},
     which makes both labels equally likely. */
  const double *interfaces;
  size_t interface_count;
  double radius; /* cylinders: the label is -1 within; 0 = the radius that makes both labels equally likely */
  double (*label)(const double *x_par, size_t d_par, void *user); /* custom: its sign is the label; 0 is an error */
  void *user;
  double compression; /* x_perp is divided by this after labelling; 0 = 1 */
} invman_data_model;

/* Draws n points from the model. The first m of them are the same for any n >= m. Free `out` after use. O(n d). */
INVMAN_API invman_status invman_data_sample(const invman_context *ctx, const invman_data_model *model, size_t n,
                                            invman_rng *rng, invman_data *out);

#ifndef INVMAN_NO_IO
/* Reads text in UTF-8 with one point a line: its coordinates, then the label -1 or +1. All lines have one separator:
   commas, semicolons, or white space (spaces, or a tab). Numbers are decimal with a point whatever the locale, are
   rounded correctly, and may be quoted. Empty lines are skipped, and so are lines that start with #, except for the
   error values of spreadsheets (#N/A, #REF! and the like). The first line is skipped if it is a header: it has as many
   columns as the points, and all are names, that is neither numbers nor marks of a missing value (nothing, NA, N/A,
   NULL, none, -, ?). A header that numbers its columns 0, 1, ... is refused, as it cannot be told from a point. Numbers
   with a decimal comma, separated by commas, look like twice as many columns: check out.d. Lines end with LF or CR LF.
   Errors: E_FORMAT or E_NONFINITE with the line, E_IO. */
INVMAN_API invman_status invman_data_read_csv(const invman_context *ctx, const char *path, invman_data *out);

typedef struct invman_idx_options {
  size_t limit; /* images to keep; 0 = all */
  int centre;   /* 1: subtract the mean of the kept images and scale each to norm sqrt(d); 0: keep pixels/255 */
  /* Is called once per image, in order; returns -1, +1, or 0 to leave the image out. NULL = parity, even digits +1. */
  int (*label)(int digit, void *user);
  void *user;
  size_t *shape; /* (3) out: channels, height and width of an image; may be NULL */
} invman_idx_options;

/* Reads a pair of IDX files such as MNIST's, of unsigned bytes: images (n, height, width) or (n, channels, height,
   width), and labels (n). d is the number of pixels. options may be NULL. Errors: E_FORMAT with the byte, E_IO. */
INVMAN_API invman_status invman_data_read_idx(const invman_context *ctx, const char *images, const char *labels,
                                              const invman_idx_options *options, invman_data *out);
#endif /* INVMAN_NO_IO */

/* Permutes the points at random (Fisher-Yates). The points of a file become exchangeable, and the first p of them, for
   growing p, are a nested family of training sets. */
INVMAN_API void invman_data_shuffle(invman_data *data, invman_rng *rng);

INVMAN_API void invman_data_free(const invman_context *ctx, invman_data *data);

/* ----------------------------------------------------------------------------------------------- network */

typedef struct invman_net {
  size_t h, d;
  double *w;    /* (h,d) omega */
  double *b;    /* (h) */
  double *beta; /* (h) */
} invman_net;

/* Draws all weights from N(0,1). The first k neurons are the same for any h >= k. Free `out` after use. */
INVMAN_API invman_status invman_net_init(const invman_context *ctx, size_t h, size_t d, invman_rng *rng,
                                         invman_net *out);
INVMAN_API invman_status invman_net_copy(const invman_context *ctx, const invman_net *net, invman_net *out);
INVMAN_API void invman_net_free(const invman_context *ctx, invman_net *net);

/* f (n) at the points x (n,d) by Eq. (1). O(n h d). */
INVMAN_API invman_status invman_net_eval(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                         double *f);

/* grad = sum_mu r_mu df/dW(x_mu). If grad has the net's shape it is overwritten; if it is {0} it is made, and you free
   it. O(n h d). */
INVMAN_API invman_status invman_net_gradient(const invman_context *ctx, const invman_net *net, const double *x,
                                             size_t n, const double *r /* (n) */, invman_net *grad);

#ifndef INVMAN_NO_IO
/* The file holds 8 bytes 89 49 4e 56 0d 0a 1a 0a and 4 bytes "NET ", then, little-endian on every machine: uint32
   format version (1), uint64 h, uint64 d, IEEE doubles w (h,d), b (h), beta (h), and uint64 FNV-1a of all bytes before
   it. It is saved by way of invman_file_create: a file under `path` is always whole. */
INVMAN_API invman_status invman_net_save(const invman_context *ctx, const invman_net *net, const char *path);
INVMAN_API invman_status invman_net_load(const invman_context *ctx, const char *path, invman_net *out);
#endif /* INVMAN_NO_IO */

/* --------------------------------------------------------------------------------------------------- flow */

enum { INVMAN_HINGE = 0, INVMAN_SOFT_HINGE = 1, INVMAN_SQUARED_HINGE = 2 };
enum { INVMAN_EVENT_DRIVEN = 0, INVMAN_MOMENTUM = 1 };

/* Why a run stands where it does. */
#define INVMAN_END_LIST(X)                                                   \
  X(INVMAN_END_NONE, 0, "not at its end")                                    \
  X(INVMAN_END_SATISFIED, 1, "every margin has reached 1, less margin_stop") \
  X(INVMAN_END_T_MAX, 2, "t_max or s_max is reached")                        \
  X(INVMAN_END_STEP_MAX, 3, "step_max or event_max is reached")              \
  X(INVMAN_END_REPORT, 4, "the report callback asked to stop")               \
  X(INVMAN_END_PROGRESS, 5, "the progress callback asked to stop")           \
  X(INVMAN_END_REST, 6, "the flow is at rest and some margins are below 1")  \
  X(INVMAN_END_ROUNDING, 7, "rounding leaves no step that is accurate enough")
#define INVMAN_I_ENUM(name, value, text) name = value,
enum { INVMAN_END_LIST(INVMAN_I_ENUM) };
#undef INVMAN_I_ENUM
INVMAN_API const char *invman_end_string(int end); /* a static string, never NULL */

typedef struct invman_flow_info invman_flow_info;

/* NULL and {0} are all defaults. Smaller tolerances make a run slower: the error falls in proportion to the tolerance,
   and the number of steps grows in inverse proportion (for a smooth model see invman_flow_create_model). */
typedef struct invman_flow_options {
  double alpha; /* scale of the predictor, > 0; 0 = 1e-6. Small alpha is the feature regime, large alpha the lazy one */
  /* INVMAN_HINGE: max(0,1-m). INVMAN_SOFT_HINGE: ln(1+exp(loss_beta (1-m)))/loss_beta. INVMAN_SQUARED_HINGE:
     max(0,1-m)^2/2. */
  int loss;
  double loss_beta;    /* sharpness of the soft hinge, > 0; 0 = 20 */
  double rotation_tol; /* networks only: largest |G_n| dt of a neuron in one step, in (0,1]; 0 = 0.1. A model: E_ARG */
  double margin_tol;   /* largest error of a predicted margin in one step, in (0,1]; 0 = 0.1 */
  /* Largest error of a predicted margin relative to the largest |margin|, in (0,1]. A model's margins start at 0, so
     that margin_tol alone does not limit its first steps: 0 = 0.03 for a model. A network is limited by rotation_tol:
     0 = no such limit for a network. */
  double relative_tol;
  double t_max;            /* time to stop at, hit exactly; 0 = none */
  size_t step_max;         /* accepted steps to stop at; 0 = none */
  double margin_stop;      /* the run is satisfied when every margin exceeds 1 - this, in (0,1); 0 = 2e-3 */
  double tstar_fraction;   /* t* is when this share of the points has m > 1, in (0,1]; 0 = 0.1 */
  size_t d_par;            /* informative directions, for Lambda; 0 = 1 */
  const invman_data *test; /* may be NULL; must outlive the flow */
  size_t report_every;     /* accepted steps between two calls of report; 0 = 1. The end is always reported */
  int (*report)(const invman_flow_info *info, const invman_net *net, void *user); /* nonzero: stop; a model: net NULL */
  void *user;
  /* INVMAN_EVENT_DRIVEN: a chain of short lazy flows, each solved event by event. INVMAN_MOMENTUM, for models: the
     paper's explicit steps of tau dv/dt = G - v, dW/dt = v. */
  int dynamics;
  double momentum;  /* tau; 0 = none, that is v = G */
  double max_dgrad; /* a momentum step is rejected if |G - G'|^2/(|G| |G'|) reaches this, > 0; 0 = 1e-3 */
  double max_dout;  /* a momentum step is rejected if an output F changes by this or more, > 0; 0 = 0.1 */
  int single;       /* networks only: 1 lets sweeps use single precision while this does no harm, see below */
} invman_flow_options;

struct invman_flow_info {
  double t, dt;               /* time; length of the last step */
  double loss, margin_min;    /* mean loss and least margin on the training set */
  double lambda, lambda_max;  /* Lambda now, and the largest so far; 0 where it is not defined (d_par = d) */
  double t_star, lambda_star; /* t*, and Lambda at t*; 0 before t* is reached */
  double test_error;          /* share of test points with y F <= 0 at the last report; -1 without a test set */
  size_t step, rejected;      /* accepted steps; trials that were not accurate enough */
  size_t unsatisfied;         /* points with m <= 1 - margin_stop */
  size_t sliding;             /* points that slide along their margin */
  invman_status status;       /* STOPPED until the run is at its end */
  int end;                    /* why, one of INVMAN_END_.. */
  size_t events;              /* arrivals of points at their margin so far */
  size_t held;                /* (neuron, point) pairs in which the point holds the neuron at z = 0 */
  double single_error;        /* largest measured error of a margin that is due to single precision */
  int in_single;              /* 1 while the sweeps use single precision */
};

typedef struct invman_flow invman_flow; /* opaque */

/* With options.single, inner products and gates of the sweeps are floats, their sums are doubles by blocks, and all
   else is double. The effect on the margins is measured in every step on a sixteenth of the points, and on all points
   before a run is called finished; where it exceeds a tenth of the error that the step allows, the run goes on in
   double. The effect is some 1e-7 of alpha f: nothing in the feature regime, too much in the lazy one. */

/* Makes a flow that trains `net` in place, from the weights it has, which define f_0. The flow keeps pointers to net,
   train and the test set. The training set is one point, or has points of both labels. Errors: E_ARG, E_NONFINITE with
   the element. */
INVMAN_API invman_status invman_flow_create(const invman_context *ctx, invman_net *net, const invman_data *train,
                                            const invman_flow_options *options, invman_flow **out);
/* Takes one accepted step, without a report, and returns info.status, which is STOPPED while there is more to do. At
   the end it does nothing. On an error the network is as it was before the call, and the flow can only be freed. */
INVMAN_API invman_status invman_flow_step(invman_flow *flow);
/* Takes steps to the end, with reports. A run that a callback stopped goes on when it is called again. */
INVMAN_API invman_status invman_flow_run(invman_flow *flow);
INVMAN_API const invman_flow_info *invman_flow_get_info(const invman_flow *flow);
/* F (n) = alpha (f - f_0) at the points x (n,d). */
INVMAN_API invman_status invman_flow_predict(const invman_flow *flow, const double *x, size_t n, double *F);
#ifndef INVMAN_NO_IO
/* Saves everything that the next step depends on, in a file like invman_net_save's (kind "FLOW"). A flow resumed with
   the same data and options continues to the same bits. `net` has the saved shape and is overwritten, or it is {0}:
   then it is made, and you free it. Other data, another alpha or another loss are E_ARG. Limits, tolerances and
   callbacks may change; `single` is the file's. */
INVMAN_API invman_status invman_flow_save(const invman_flow *flow, const char *path);
INVMAN_API invman_status invman_flow_resume(const invman_context *ctx, const char *path, invman_net *net,
                                            const invman_data *train, const invman_flow_options *options,
                                            invman_flow **out);
#endif /* INVMAN_NO_IO */
INVMAN_API void invman_flow_free(invman_flow *flow);

/* Creates a flow, runs it and frees it. info may be NULL. Where memory runs out or a callback fails on the way, the
   network stays where its last whole step took it. */
INVMAN_API invman_status invman_train(const invman_context *ctx, invman_net *net, const invman_data *train,
                                      const invman_flow_options *options, invman_flow_info *info);

/* Any other model under the same flow: f(x) with N weights, given by callbacks. Each callback uses the weights as they
   are when it is called, gets points x (n,d), and returns INVMAN_OK or a negative status, which ends the run (any other
   value is E_ARG). `evaluate` may return E_NONFINITE where f overflows: the step is then made shorter. One thread at a
   time calls them. n is at most the number of training points; in `evaluate` it may also be that of the test points. A
   step costs two gradients of the points whose multiplier is not 0, two Gram matrices of the points near their margin,
   and four to five evaluations of all points. */
typedef struct invman_model {
  size_t size;     /* N */
  double *weights; /* (N), the caller's, trained in place */
  /* f (n); G (N) = sum_mu r_mu df/dW(x_mu); K (n,n) = df/dW(x_mu) . df/dW(x_nu) */
  invman_status (*evaluate)(const double *x, size_t n, double *f, void *user);
  invman_status (*gradient)(const double *x, size_t n, const double *r, double *G, void *user);
  invman_status (*gram)(const double *x, size_t n, double *K, void *user);
  /* Moves the weights along dW/dt = G for a time dt, which may be negative. NULL = weights += dt G. With a `move`, G
     may be anything that `move` understands and that can be added: the flow sums the G of two sets of points. */
  invman_status (*move)(const double *G, double dt, void *user);
  void *user;
} invman_model;

/* These work as the functions above, for a model, of which the flow keeps a copy; the weights and `user` must outlive
   the flow. The info's lambda, lambda_max, lambda_star and held are 0, and one thread at a time may call
   invman_flow_predict. Where f is smooth, the error of a run falls as the 2/3 power of the tolerances, and the number
   of steps grows as their inverse cube root. With INVMAN_MOMENTUM t* is the end of its step, and `move` is not used.
   Memory: 5 N doubles (momentum: 6 N), p d, and Gram matrices of the points near their margin. The file of a model's
   flow has kind "MFLO"; dynamics or a momentum other than the file's are E_ARG. So is a missing callback other than
   `move`; a callback's own error is passed on.
   Try a model with invman_model_check before its first run. A run with a wrong model ends with E_ARG, and ctx->error
   says what disagrees: the loss rises along G, or f does not change along G as K says, in three trials of different
   lengths in a row. The weights are then those of the last step, and invman_flow_get_info says how many there were. A K
   that is wrong by less than a third only makes steps short; many rejected steps are the sign. G and K that miss the
   same weights, or are both multiplied by one number, define another flow: no run can tell, but the check can.
   Choice of alpha: F = alpha (f - f_0) must come to 1, so f has to change by 1/alpha. Where f is homogeneous in its
   weights (ReLU; swish for large weights) a small alpha costs little: 200 points in d = 5 and 200 neurons with 1/h
   before the sum take 107 and 106 steps at 1e-3, 274 and 257 at 1e-6. With a bounded activation f grows no faster than
   the last layer: tanh takes 89 steps at alpha = 10 and 469 at 1, has a loss of 0.02 after 1500 steps at 0.1, and of
   0.88 at 1e-3; at the default 1e-6 such a network may saturate and end stationary, as NOT_SEPARABLE. Start where alpha
   times a change of f by one is about 1, and go down by factors of ten as long as the steps allow. */
INVMAN_API invman_status invman_flow_create_model(const invman_context *ctx, const invman_model *model,
                                                  const invman_data *train, const invman_flow_options *options,
                                                  invman_flow **out);
#ifndef INVMAN_NO_IO
INVMAN_API invman_status invman_flow_resume_model(const invman_context *ctx, const char *path,
                                                  const invman_model *model, const invman_data *train,
                                                  const invman_flow_options *options, invman_flow **out);
#endif /* INVMAN_NO_IO */
INVMAN_API invman_status invman_train_model(const invman_context *ctx, const invman_model *model,
                                            const invman_data *train, const invman_flow_options *options,
                                            invman_flow_info *info);
/* Is the model right? Tries the callbacks at a few points x (n,d), at weights one part in a hundred away from the
   model's (with a `move`: at the model's). It compares the gradient of every point with differences of f, along random
   directions and by single weights; K with the gradients' inner products; the gradient of all points with the sum of
   the single ones times r; f and K of all points with those of each point alone; and, with a `move`, the change of f
   along G with K r. A callback must write its whole output, must not add to what stands there, and must leave the
   weights alone. The lengths of the differences are found by trial: weights and f of any scale, kinks, and single
   precision are fine. ctx->error names what is wrong: E_ARG with the element of f (n), G (N), r (n) or K (n,n);
   E_NONFINITE where an output is NaN, infinite or not written; or what a callback returns. OK is no proof: a weight
   that matters little at these points may still be wrong. The weights are put back, to the bit. Cost: some 200
   evaluations, more where it names a weight, n + 1 gradients and n + 1 Gram matrices; 7N + nN doubles (with a `move`:
   7N). */
INVMAN_API invman_status invman_model_check(const invman_context *ctx, const invman_model *model,
                                            const double *x /* (n,d) */, size_t n, size_t d);

/* ------------------------------------------------------------------------------------------ tangent kernel */

/* The weights whose kernel is meant: all of them, omega and b, or beta. HIDDEN is for convolutional networks, see
   there. */
enum { INVMAN_NTK_ALL = 0, INVMAN_NTK_FIRST_LAYER = 1, INVMAN_NTK_LAST_LAYER = 2, INVMAN_NTK_HIDDEN = 3 };

/* K (n,m) = Theta(x_i, z_j) = df/dW(x_i) . df/dW(z_j) of the network, for x (n,d) and z (m,d). If z is NULL, m is
   ignored, K (n,n) is symmetric, and only one triangle of it is computed. Two products of rank h: O(n m h), 25 MB. */
INVMAN_API invman_status invman_ntk_gram(const invman_context *ctx, const invman_net *net, int part, const double *x,
                                         size_t n, const double *z, size_t m, double *K);
/* The limit of h Theta for h -> infinity at initialisation, in closed form: the arc-cosine kernels of degree 1 and 0 of
   Cho and Saul (2009), with bias. O(n m d), no memory. */
INVMAN_API invman_status invman_ntk_gram_infinite(const invman_context *ctx, size_t d, int part, const double *x,
                                                  size_t n, const double *z, size_t m, double *K);
/* The same for `layers` hidden layers of infinite width: every weight and bias is N(0,1), a layer is sigma(W a/sqrt(its
   inputs) + b), the output (1/h) beta.a. layers = 1 is invman_ntk_gram_infinite. part: INVMAN_NTK_ALL is the tangent
   kernel, INVMAN_NTK_LAST_LAYER the covariance of the outputs (NNGP), INVMAN_NTK_FIRST_LAYER that of the weights and
   biases of the first hidden layer. Each entry is right to a few roundings of sqrt(K(x,x) K(z,z)), however close x and
   z are. O(n m (d + layers)), nothing beside K. E_ARG also where layers is 0. */
INVMAN_API invman_status invman_ntk_gram_deep(const invman_context *ctx, size_t d, size_t layers, int part,
                                              const double *x, size_t n, const double *z, size_t m, double *K);

/* ------------------------------------------------------------------------------------------------- lazy flow */

typedef struct invman_lazy_info invman_lazy_info;

/* NULL and {0} are all defaults. */
typedef struct invman_lazy_options {
  double s_max;                                            /* time to stop at, hit exactly; 0 = none */
  size_t event_max;                                        /* events to stop at; 0 = none */
  int (*report)(const invman_lazy_info *info, void *user); /* at the start and after every event; nonzero: stop */
  void *user;
  double *margin; /* (n) out: the margins y_mu F(x_mu) at the end; may be NULL */
} invman_lazy_options;

struct invman_lazy_info {
  double s, loss, margin_min;  /* time alpha t, mean hinge loss, least margin */
  size_t events;               /* arrivals of points at their margin */
  size_t sliding, sliding_max; /* points that slide along their margin: now, and the most so far */
  size_t unsatisfied;          /* points whose margin is below what OK asks for; during the run: below 1 - 1e-9 */
  invman_status status;
  int end; /* why the run ended, one of INVMAN_END_.. */
  /* The certificate, computed from a and K alone where the run ended. */
  /* The largest distance of a margin y F from where its multiplier g says it is: <= 1 where g = 1, >= 1 where g = 0, 1
     between. */
  double residual;
  /* The largest |dm/ds| under g among the points that should not move (all points if the flow is stationary, else the
     sliding ones), relative to the largest at s = 0. Where the terms of the rates at s = 0 cancel, it is relative to
     what they could have been without. */
  double speed;
  size_t refactored; /* times that the sliding points' Cholesky factor was computed anew */
};

/* The hinge flow with the kernel K frozen (alpha -> infinity), from F = 0 until it is stationary: dm/ds =
   (1/n) [y y' o K] g. It is piecewise linear in s and followed event by event. K (n,n) is symmetric and positive
   semi-definite; its digits are taken as exact. a (n) out: F(x) = sum_mu a_mu K(x, x_mu). The flow runs in doubles
   while these can tell which event comes next, and then in twofold precision, so that a condition of 1e12 and more is
   no obstacle. info may be NULL. Status:
   OK             every margin is at least 1 - 1e-9; or, where the coefficients are so large that their own rounding
                  moves margins by more, at least 1 - 16 DBL_EPSILON sum_j |K_ij a_j| and 0.95. residual says how far.
   NOT_SEPARABLE  the flow is stationary at the least hinge loss that this kernel can reach, which is above zero (as
                  with two points of the same image and opposite labels): no rate exceeds the rounding of K's entries,
                  and K, as its digits are, is not positive definite (a pivot of the Cholesky factor is at most 1e-26 of
                  the diagonal).
   NOT_CONVERGED  the labels ask for larger coefficients than doubles can hold. This happens to kernels of condition
                  1e16 and more, and to those that rounding has given a negative eigenvalue. a holds the best that was
                  found; its margins are right to 1e-2 or so, and residual says how far they are from where the
                  multipliers say. Adding 1e-14 of the largest K_ii to the diagonal makes such a kernel definite.
   STOPPED        by a limit or a callback.
   It takes some 2n events of O(n q) for q ~ sqrt(n) sliding points, ten times as long in twofold precision; memory:
   O(n + q^2). */
INVMAN_API invman_status invman_lazy_train(const invman_context *ctx, const double *K, const double *y, size_t n,
                                           const invman_lazy_options *options, double *a, invman_lazy_info *info);

/* The same where K does not fit in memory: column(j, out, arg) writes K(x_i, x_j) for all i < n. One thread at a time
   calls it: once for every j at the start and at the end, and again when a point reaches its margin. Memory: O(n q). */
typedef void (*invman_kernel_column)(size_t j, double *column /* (n) */, void *arg);
INVMAN_API invman_status invman_lazy_train_columns(const invman_context *ctx, invman_kernel_column column, void *arg,
                                                   const double *y, size_t n, const invman_lazy_options *options,
                                                   double *a, invman_lazy_info *info);

/* Regression under a frozen kernel, exact at any time: the flow of the mean of (F - y)^2/2 from F = 0 is dF/ds = (1/n)
   K (y - F), so that F(s) = (1 - exp(-K s/n)) y at the training points. K (n,n): symmetric, positive semi-definite, its
   upper triangle is read; y (n): any reals; s (times): times alpha t >= 0 in any order, infinity among them if wanted.
   a (times,n) out: a row per time, F(x) = sum_mu a_mu K(x, x_mu). By eigenpairs (lambda_k, v_k), a is the sum of v_k
   (v_k.y) (1 - exp(-lambda_k s/n))/lambda_k, and no digits are lost where lambda_k s/n is small. Eigenvalues of up to n
   DBL_EPSILON lambda_1 are taken for zero: there F stands still and a grows as (s/n) v_k.y without effect on F at the
   training points. At s = infinity that part is left out, by K's pseudo-inverse: a is the interpolant, or, where K is
   singular and y asks for more than it can do, the least-squares fit, of least norm both. Its error is that of the
   eigenpairs, some DBL_EPSILON times K's condition. E_ARG: n = 0, a time that is negative or NaN (with its element), or
   an eigenvalue below -1e-8 lambda_1; E_NONFINITE: K, y, or a coefficient so large; NOT_CONVERGED: as invman_eigh says
   it. times = 0: nothing is done. O(n^3 + times n^2); 3 n^2 + times n doubles beside K. (Jacot, Gabriel and Hongler,
   2018, for the flow) */
INVMAN_API invman_status invman_lazy_regression(const invman_context *ctx, const double *K, const double *y, size_t n,
                                                const double *s, size_t times, double *a /* (times,n) */);

typedef struct invman_qp_info {
  size_t pivots;    /* times that a variable became free or came to a bound */
  double objective; /* 1/2 x'Qx + c'x */
  double residual;  /* of the optimality conditions, computed anew from x: see below */
  invman_status status;
} invman_qp_info;

/* Quadratic programs in a box: min 1/2 x'Qx + c'x, lower <= x <= upper, by the active-set method of the event engine. Q
   (n,n): symmetric, positive semi-definite, read in full, its digits taken as exact; c (n). lower, upper (n): infinite
   entries bound nothing, equal ones fix a variable; NULL: no bounds on that side. x (n) in: where to start, zeros if
   nothing is known, numbers beyond their bounds are put on them; a start near the solution saves most of the work. out:
   the solution, bounds met exactly. info: NULL if not wanted.
   residual: the gradient r = Qx + c, in twofold precision, must be >= 0 at a lower bound, <= 0 at an upper one, 0
   between and anything where both are one; the largest |r_i| that is not so, as a share of |c_i| + sqrt(Q_ii) sum_j
   sqrt(Q_jj) |x_j|, which is what the terms of r_i could add up to. Units of the variables and of the objective do not
   enter. OK: residual <= 1e-9; where doubles have not reached 1e-11, twofold precision goes on (conditions of 1e12 end
   at 1e-16). Of several solutions, as a singular Q may have, it is one. NOT_CONVERGED: residual says how far x is from
   it; Q has a negative eigenvalue, say. STOPPED: ctx->progress; x is within its bounds and no worse than the start.
   E_ARG: n = 0, a Q_ii < 0 or a variable without a number within its bounds (with the element), or a problem without a
   solution: along some direction without curvature (a pivot of the Cholesky factor is n DBL_EPSILON Q_ii or less) and
   without a bound the objective falls for ever, the element is a variable that takes part in it, x is untouched.
   E_NONFINITE: Q, c or the start, or a result.
   Support vector machine without intercept, min 1/2 |F|^2 + C sum_i max(0, 1 - y_i F(x_i)), |F| the kernel's norm:
   Q_ij = y_i y_j K_ij, c_i = -1, lower = zeros, upper = C everywhere, or NULL for the function of widest margin; then
   F(x) = sum_i x_i y_i K(x, x_i), the support vectors are those with x_i > 0, and 1 - y_i F(x_i) is -r_i. Labels that
   K cannot separate have no widest margin: E_ARG. Along a path of C, each solution is the next one's start.
   Pivots are a few times as many as variables that are free in the end, q, each O(q^2 + n): O(n q + q^2) doubles beside
   Q. (Active sets and Newton's step bent at the bounds: Nocedal and Wright, Numerical Optimization, 16.5 and 16.7) */
INVMAN_API invman_status invman_box_qp(const invman_context *ctx, const double *Q, const double *c, const double *lower,
                                       const double *upper, size_t n, double *x, invman_qp_info *info);

/* ------------------------------------------------------------------------------------- symmetric eigensolver */

/* Eigenvalues are in descending order. Eigenvector k is ROW k; its norm is 1, and its entry of largest size (the first
   of equals) is positive. Only the upper triangle of A is read. |A v - lambda v| <= 1e-13 n |A|, |V V' - 1| <= 1e-13 n.
   An A that is not finite is refused, with the element. */
INVMAN_API invman_status invman_eigh(const invman_context *ctx, size_t n, double *A /* (n,n), out: the vectors */,
                                     double *lambda /* (n) */); /* O(n^3), 2 n^2 doubles beside A */
INVMAN_API invman_status invman_eigvalsh(const invman_context *ctx, size_t n, double *A /* destroyed */,
                                         double *lambda); /* without vectors: 0.6 of the time */

typedef void (*invman_apply)(const double *x, double *y, size_t n, void *arg); /* y = A x, A symmetric */
/* The k largest eigenvalues and their vectors, by products with A alone (Lanczos with thick restarts and full
   reorthogonalisation; Wu and Simon, 2000). tol: |A v - lambda v| <= tol |A|, at least 2e-15; 0 = 1e-14.
   OK: nothing larger is left out, even if eigenvalues are multiple or close. Products cannot prove this; they show it
   for all but one in a million of the random vectors from which the search for what is left starts: no other eigenvalue
   lies above lambda_k + max(tol, 1e-13) |A|, or above lambda_k + max(tol, 1e-9) |A| where A has more copies of lambda_k
   than are returned (Kuczynski and Wozniakowski, 1992; van Dorsselaer, Hochstenbach and van der Vorst, 2000). The
   random vectors are the same in every call, and so is the answer: a second call is no second opinion.
   NOT_CONVERGED: 300 restarts were not enough, or something larger may be left. STOPPED: by ctx->progress. What was
   found is returned, with zeros for the rest. NONFINITE: A x is not finite, with the element. O((k + 30) n) doubles. */
INVMAN_API invman_status invman_eigh_top(const invman_context *ctx, size_t n, size_t k, invman_apply apply, void *arg,
                                         double tol, double *lambda /* (k) */, double *V /* (k,n) */);

/* --------------------------------------------------------------------------------------------- measures */

/* Lambda, Eq. (9) generalised to d_par informative directions; it is 1 on average at initialisation. 0 where it is not
   defined (d_par = 0 or d_par >= d), infinite where no weight is left in the other directions. O(h d). */
INVMAN_API double invman_amplification(const invman_net *net, size_t d_par);
/* The neuron vectors z (h,d) = -sqrt(d) b omega/|omega|^2; infinite where omega = 0. */
INVMAN_API void invman_neuron_vectors(const invman_net *net, double *z);

/* Uncentred kernel principal components: the r largest eigenvalues of K (n,n); phi_k, the eigenvectors scaled to mean
   square 1; and omega_k^2 = (phi_k.y/n)^2, the share of the labels in direction k, which sums to 1 over all k. Outputs
   may be NULL. Where r < n/16 they come from invman_eigh_top with tol = 0, with its OK and NOT_CONVERGED, at O(n^2) per
   product; else from invman_eigh, at O(n^3) and a copy of K. The eigenvectors of a multiple eigenvalue are one basis of
   many: only the sum of omega_k^2 over all of them has a meaning. */
INVMAN_API invman_status invman_kernel_pca(const invman_context *ctx, const double *K, const double *y, size_t n,
                                           size_t r, double *lambda /* (r) */, double *phi /* (r,n) */,
                                           double *omega2 /* (r) */);

typedef struct invman_mi_options {
  size_t k;       /* neighbours; 0 = 5 */
  int count_self; /* 1: a point is one of its own neighbours, as in the authors' program; 0: it is not */
} invman_mi_options;

/* The mutual information of v (n,dim) with the label, in bits, between 0 and the labels' own entropy H(y): H(y) minus
   the mean entropy of the label at a point, by Appendix D's estimator from the distances to the k-th neighbour of each
   class. The paper's classes are balanced, so that H(y) = 1. H(y) is set to 1, though no information exceeds the real
   H(y), where the classes' sizes differ by at most sqrt(n), as those of fair draws do; 1 - H(y) is below 0.73/n there.
   The estimate is biased: compare it with invman_mutual_information_null. It does not depend on the scale of v, and a
   coordinate of any size leaves the others their digits. Where distances tie to 1e-9, as many neighbours count as are
   tied (Ross, 2014; Gao et al., 2017). Where k points of one class have a point's own value, all points that have it
   count, and H(y) is exact. For a v of few values, at most n/(2k) and 64, this is the plug-in estimate H(y) - H(y|v) of
   the counts. Each label must be there more than k times. O(n log n) for dim = 1, else O(n^2 dim); memory: O(n dim).
   Errors: E_ARG or E_NONFINITE with the element. */
INVMAN_API invman_status invman_mutual_information(const invman_context *ctx, const double *v, size_t dim,
                                                   const double *y, size_t n, const invman_mi_options *options,
                                                   double *bits);
/* The estimate under the null hypothesis that v tells nothing about the label: its mean and standard deviation (0 for
   one draw) over `draws` random permutations of the labels, which keep the classes' sizes. Each draw costs one
   estimate. Outputs may be NULL. */
INVMAN_API invman_status invman_mutual_information_null(const invman_context *ctx, const double *v, size_t dim,
                                                        const double *y, size_t n, const invman_mi_options *options,
                                                        size_t draws, invman_rng *rng, double *mean, double *deviation);

/* The intrinsic dimension (TwoNN; Facco et al., 2017) of the points behind the Gram matrix K, from their distances
   sqrt(K_ii + K_jj - 2 K_ij): (n+1)/sum ln(r2/r1), as in the authors' program; stderr_ = dimension/sqrt(n). Points that
   have a duplicate are left out, as centres and as neighbours, and n counts the others; invman_duplicates says how many
   there are. Two points are duplicates if their squared distance is at most 16 DBL_EPSILON (K_ii + K_jj), which
   rounding may leave of 0. Fewer than three others are E_ARG. Infinite where every r2 = r1. Outputs may be NULL.
   O(n^2), O(n) memory. */
INVMAN_API invman_status invman_intrinsic_dimension(const invman_context *ctx, const double *K, size_t n,
                                                    double *dimension, double *stderr_);
INVMAN_API size_t invman_duplicates(const double *K, size_t n); /* points that have a duplicate; K must be finite */

/* The least-squares fit of ln y against ln x, y ~ x^exponent, and the exponent's standard error, which is infinite for
   two points. It needs two different x and positive values; otherwise E_ARG or E_NONFINITE with the element of x or y
   (context.error.what says which). The units of x and y do not matter. Outputs may be NULL. O(n). */
INVMAN_API invman_status invman_fit_power_law(const invman_context *ctx, const double *x, const double *y, size_t n,
                                              double *exponent, double *stderr_);
/* The same over repeated runs: the exponent of the medians over the seeds, and its 95 % bootstrap interval, from
   `draws` (0 = 1000) resamplings of the seeds at every x. y (n,seeds); NaN marks a missing run. Medians must be
   positive, else E_ARG or E_NONFINITE with the element of x. If an x has one run, nothing is known of how runs differ
   there: the interval is then -infinity to infinity. An end that resamplings with a median of 0 leave open is infinite
   too. */
INVMAN_API invman_status invman_median_power_law(const invman_context *ctx, const double *x, const double *y, size_t n,
                                                 size_t seeds, size_t draws, invman_rng *rng, double *exponent,
                                                 double interval[2]);
/* The paper's predictions for the exponent beta of the test error ~ p^-beta: lazy d/(3d-2); feature (2d-1)/(3d-2) for
   d_par = 1, else (d + d_perp/2)/(3d-2). 0 where they are not defined (d = 0, d_par = 0, d_par > d). */
INVMAN_API double invman_beta_lazy(size_t d);
INVMAN_API double invman_beta_feature(size_t d, size_t d_par);

#ifndef INVMAN_NO_THEORY
/* -------------------------------------------------------------------------------- theory of the stripe model

   Before t* every multiplier g is 1 and each neuron moves by itself. For p -> infinity its weights feel only averages
   over x ~ N(0, 1_d), which are known in closed form [5, Appendix C]. The label is +1 left of the first interface and
   alternates; interfaces NULL are the paper's two. Time is in units of t/h, in which tau = sqrt(d/2). */

/* mean (3): <y x_1 1>, <y x_perp 1> along omega_perp, and <y 1>, where 1 stands for 1[omega.x/sqrt(d) + b > 0];
   omega_perp >= 0 is the norm of the uninformative weights. */
INVMAN_API void invman_stripe_averages(const double *interfaces, size_t count, size_t d, double omega_1,
                                       double omega_perp, double b, double mean[3]);
/* The averages' limit for omega_perp -> 0 [6]: C_1 = <y x_1 Theta(s (x_1 - zeta))> and C_b = <y Theta(s (x_1 - zeta))>,
   with s the sign of omega_1; C_perp = y(zeta). Outputs may be NULL. */
INVMAN_API void invman_stripe_integrals(const double *interfaces, size_t count, double zeta, int sign, double *c1,
                                        double *cb);
INVMAN_API double invman_stripe_label(const double *interfaces, size_t count, double x_1); /* +1 or -1; 0 on one */

/* A fixed point that neurons move towards: d C_b + z C_1 = 0 [6]. */
typedef struct invman_fixed_point {
  double z;    /* the neuron vector is (z, 0) */
  int sign;    /* of omega_1 */
  double c1;   /* C_1 at the fixed point */
  double time; /* tau-star/tau = 1/(|C_1| sqrt(1 + z^2/d)) [14]: weights grow as exp(t/tau-star) */
} invman_fixed_point;

/* The stable fixed points, those with omega_1 > 0 first, then ascending in z. Neurons come back to them along e_1, and
   omega_1 outgrows omega_perp. found: how many there are; out holds the first `capacity` of them. */
INVMAN_API invman_status invman_stripe_fixed_points(const double *interfaces, size_t count, size_t d,
                                                    invman_fixed_point *out, size_t capacity, size_t *found);

/* Solves Eq. (5) from start = (omega_1, omega_perp, b, beta) at t = 0: states (times,4) at the ascending times t >= 0,
   in units of t/h. Steps are adaptive (Dormand and Prince, 1980), to 1e-10. NOT_CONVERGED after a million steps. */
INVMAN_API invman_status invman_stripe_neuron_ode(const invman_context *ctx, const double *interfaces, size_t count,
                                                  size_t d, const double start[4], const double *t, size_t times,
                                                  double *states);
/* The same with the fluctuation of p points about the averages, as in Eq. (7) and C.3: start = (omega (d), b, beta),
   states (times,d+2). noise (d+1), along omega_1, .., omega_d and b, is added to the averages. */
INVMAN_API invman_status invman_stripe_noisy_ode(const invman_context *ctx, const double *interfaces, size_t count,
                                                 size_t d, const double *start, const double *noise, const double *t,
                                                 size_t times, double *states);
/* This fluctuation for neurons at z: noise (d+1) = (1/p) sum_mu y (x_1, .., x_d, 1) Theta(sign (x_1 - z)) less its
   expectation (C_1, 0, .., 0, C_b). Its uninformative components are the N_i sqrt(D_perp/p) of Eq. (7). */
INVMAN_API void invman_stripe_noise(const invman_data *data, const double *interfaces, size_t count, double z, int sign,
                                    double *noise);

/* The geometry that makes both labels equally likely: the right edge of a stripe that begins at x_min < 0 (infinite for
   other x_min), and the radius of a cylinder with d_par informative directions. */
INVMAN_API double invman_equiprobable_x_max(double x_min);
INVMAN_API double invman_equiprobable_radius(size_t d_par);
#endif /* INVMAN_NO_THEORY */

#ifndef INVMAN_NO_RFM
/* ---------------------------------------------------------------------------------------- kernels that learn

   A kernel whose metric is learned: K_M(x,z) = K(M^1/2 x, M^1/2 z). Recursive feature machines (Radhakrishnan,
   Beaglehole, Pandit and Belkin, 2024) fit it, set M to the mean over the points of grad F grad F', the gradient in x
   of the predictor F = sum_mu a_mu K_M(., x_mu), and begin anew: directions along which F varies are amplified, as a
   network amplifies them. Here every fit is the exact hinge flow, invman_lazy_train. M is symmetric, positive
   semi-definite to rounding, and of trace d; it begins as the identity. */

enum {
  INVMAN_RFM_NTK = 0,     /* of `layers` infinitely wide hidden layers: invman_ntk_gram_deep */
  INVMAN_RFM_LAPLACE = 1, /* exp(-r/bandwidth), r^2 = (x - z)' M (x - z) */
  INVMAN_RFM_GAUSS = 2    /* exp(-r^2/(2 bandwidth^2)) */
};

typedef struct invman_rfm_info {
  size_t round;          /* updates of M so far */
  double lambda;         /* Lambda of M: squared, (d_perp/d_par) times the trace of M over the first d_par coordinates,
                             over that of the rest; 1 at the start, 0 where d_par = d, infinite where the rest is 0 */
  double train_error;    /* share of training points with y F <= 0 */
  double test_error;     /* the same of the test points; -1 = no test set */
  invman_lazy_info flow; /* the last fit */
  invman_status status;  /* the last fit's; STOPPED also where `report` asked for it */
} invman_rfm_info;

/* {0} or NULL: all defaults. */
typedef struct invman_rfm_options {
  size_t rounds;           /* updates of M; 0 = 3 */
  int kernel;              /* INVMAN_RFM_NTK, INVMAN_RFM_LAPLACE or INVMAN_RFM_GAUSS */
  size_t layers;           /* hidden layers of INVMAN_RFM_NTK; 0 = 1 */
  double bandwidth;        /* Laplace, Gauss; 0 = the median distance, at M = 1, of the training points: of 512 at most,
                              evenly spaced in their order */
  int diagonal;            /* 1: M is diagonal, its other entries are left out */
  size_t d_par;            /* informative directions, for Lambda; 0 = 1 */
  const invman_data *test; /* optional */
  int (*report)(const invman_rfm_info *info, const double *M, void *user); /* after every fit; nonzero: stop */
  void *user;
} invman_rfm_options;

/* Fits, and updates M, `rounds` times, and fits once more: rounds + 1 fits. M (d,d) and a (n) are outputs and belong
   together. Returns the last fit's status. Fits that end as NOT_SEPARABLE or NOT_CONVERGED have an update all the same.
   The rounds end before their number where an update would change no entry of M by more than 1e-9 of the largest, or
   where F does not vary at any point (as that of one point, whose own term is left out): then OK, and info->round <
   rounds. STOPPED: by `report` or ctx->progress; M and a are those of the last fit. info: NULL if not wanted. For n >
   16384 the kernel's columns are computed as they are needed (see invman_lazy_train_columns), else K (n,n) is kept:
   memory n^2 + O(n (d + 800)), and O(n^2 (d + layers)) time beside the flow's. Errors: E_ARG, also where the median
   distance is asked for and is 0; E_NONFINITE with the element. */
INVMAN_API invman_status invman_rfm_train(const invman_context *ctx, const invman_data *train,
                                          const invman_rfm_options *options, double *M /* (d,d) */, double *a /* (n) */,
                                          invman_rfm_info *info);
/* F (n) = sum_mu a_mu K_M(., x_mu) at the points x (n,d). Of train the labels are not read, of the options only what
   says which kernel. M (d,d): any symmetric positive semi-definite one; a (train->n): any coefficients. */
INVMAN_API invman_status invman_rfm_predict(const invman_context *ctx, const invman_data *train,
                                            const invman_rfm_options *options, const double *M, const double *a,
                                            const double *x, size_t n, double *F);
/* The mean of grad F grad F' over the training points (average gradient outer product), in closed form: exactly
   symmetric, positive semi-definite to rounding, diagonal with options->diagonal. At a point x_mu the tangent kernel
   and Laplace's have a kink where x = x_mu: there the term of x_mu, and of any point equal to it, is left out.
   Arguments as above. O(n^2 (d + layers)), O(n (d + 800)) memory. */
INVMAN_API invman_status invman_kernel_agop(const invman_context *ctx, const invman_data *train,
                                            const invman_rfm_options *options, const double *M, const double *a,
                                            double *agop /* (d,d) */);
#endif

#ifndef INVMAN_NO_DIAGNOSTICS
/* -------------------------------------------------------------------------------------------- diagnostics

   What else a Gram matrix, its eigenpairs, a network's weights or the distances of a representation can tell. Each
   function measures one thing, from arrays that the caller has: lambda (n) and U (n,n) as invman_eigh leaves them
   (descending, vectors in rows), a Gram matrix K (n,n), distances D (n,n), labels y. Output pointers may be NULL.
   Entropies are in nats unless bits are named. Eigenvalues below 0 count as 0. No function changes its inputs unless
   its comment says so. Errors: E_ARG, E_SIZE, E_NOMEM, and E_NONFINITE with the element, also where a result
   overflows. */

/* ---- spectrum: over how many directions the weight is spread. p_k = lambda_k/sum lambda; for `singular`,
   p_k = sqrt(lambda_k)/sum sqrt(lambda) */

typedef struct invman_spectrum {
  double sum;                 /* of lambda: the trace */
  double entropy;             /* H = -sum p ln p, 0 to ln n */
  double effective_rank;      /* e^H (Roy and Vetterli, 2007, who take singular values) */
  double participation_ratio; /* (sum lambda)^2/sum lambda^2, from 1 to e^H of the eigenvalues, which is <= rank */
  double stable_rank;         /* sum lambda/max lambda */
  double anisotropy;          /* max lambda/sum lambda, 1/n to 1 */
  size_t rank;                /* eigenvalues above tol max lambda */
} invman_spectrum;

/* Measures the eigenvalues lambda (n), in any order; if all are 0, so are the measures. tol: 0 = n DBL_EPSILON. All but
   `sum` are independent of the scale of lambda. In feature training the entropy of the tangent kernel falls until about
   t*, and then partly comes back; in lazy training it stays. O(n) */
INVMAN_API invman_status invman_spectral_measures(const invman_context *ctx, const double *lambda, size_t n,
                                                  int singular, double tol, invman_spectrum *out);
/* The von Neumann entropy -tr rho ln rho of rho_ij = K_ij/sqrt(K_ii K_jj)/n: 0 where all points have one direction, ln
   n where they are orthogonal. K is not centred, as in Kim et al. (2023). A point with K_ii <= 0 is E_ARG with the
   element. O(n^3), a copy of K. */
INVMAN_API invman_status invman_von_neumann_entropy(const invman_context *ctx, const double *K, size_t n,
                                                    double *entropy);
/* The area under the unexplained variance: the part of the sum of the descending lambda that the first k leave, added
   up over k = 0 (all of it) .. last. O(n) */
INVMAN_API double invman_unexplained_area(const double *lambda, size_t n, size_t last);

/* ---- kernel and labels; lambda (n) and U (n,n) belong to K, y (n) are any numbers */

/* The ridge leverages tau_i = [K (K + gamma)^-1]_ii, and the effective dimension d_eff = sum_i tau_i = sum_k
   lambda_k/(lambda_k + gamma), at most the rank and tr K/gamma. gamma > 0. U may be NULL where tau is. O(n^2) */
INVMAN_API invman_status invman_ridge_leverage(const invman_context *ctx, const double *lambda, const double *U,
                                               size_t n, double gamma, double *tau /* (n) */, double *d_eff);
/* The kernel-target alignment y'Ky/(|y|^2 |K|_F) (Cristianini et al., 2001): 1 for K = yy', 1/sqrt(n) for K = 1.
   O(n^2) */
INVMAN_API invman_status invman_target_alignment(const invman_context *ctx, const double *K, const double *y, size_t n,
                                                 double *alignment);
/* The cumulative power of the labels in the first eigenvectors: power_r = sum_{k <= r} (u_k.y)^2/|y|^2, ascending to 1.
   For labels -1 and +1 these are the sums of invman_kernel_pca's omega2. O(n^2) */
INVMAN_API invman_status invman_cumulative_power(const invman_context *ctx, const double *U, const double *y, size_t n,
                                                 double *power /* (n) */);
/* y'K^-1 y = sum_k (u_k.y)^2/lambda_k over the `used` eigenvalues above tol max lambda (tol: 0 = n DBL_EPSILON). It is
   the squared RKHS norm of the function that interpolates the part of y in their eigenvectors. Labels with a larger
   part there may have the larger norm for that reason alone, so compare labels only where all eigenvalues are used, or
   at equal shares (invman_cumulative_power). O(n^2) */
INVMAN_API invman_status invman_rkhs_norm(const invman_context *ctx, const double *lambda, const double *U,
                                          const double *y, size_t n, double tol, double *norm2, size_t *used);
/* The predictions f (m) of kernel regression with r eigenvectors, sum_{k < r} (u_k.y)/(lambda_k + gamma) (k(x).u_k),
   for the rows k(x) = K(x, x_mu) of C (m,n); gamma >= 0. For gamma = 0, eigenvalues up to n DBL_EPSILON max lambda are
   left out; at the training points |y - f|^2 is then |y|^2 (1 - power_r). O(n r + m n) */
INVMAN_API invman_status invman_spectral_predictor(const invman_context *ctx, const double *lambda, const double *U,
                                                   const double *y, size_t n, size_t r, double gamma, const double *C,
                                                   size_t m, double *f);
/* The Nystrom extension u_k(x) = k(x).u_k/lambda_k of the first r eigenvectors to m more points, phi (m,r); at a
   training point it is u_k's own entry. Multiply by sqrt(n) for invman_kernel_pca's scale. 0 where lambda_k <= n
   DBL_EPSILON max lambda. O(m n r) */
INVMAN_API invman_status invman_nystrom_extension(const invman_context *ctx, const double *lambda, const double *U,
                                                  size_t n, size_t r, const double *C, size_t m, double *phi);
/* The centred kernel alignment (CKA) <PKP, PLP>/(|PKP| |PLP|), P = 1 - 11'/n (Cortes et al., 2012), from 0 to 1. It
   does not depend on the scale of K and L, nor does it change if u_i + v_j is added to K_ij. r > 0 takes the r largest
   eigenpairs of PKP and PLP only. A constant kernel, |PKP| <= 16 DBL_EPSILON |K|, is E_ARG. A tangent kernel before and
   after training has 1 in the lazy limit, less with features. O(n^2) and a copy of both; r > 0: O(n^3) */
INVMAN_API invman_status invman_centred_alignment(const invman_context *ctx, const double *K, const double *L, size_t n,
                                                  size_t r, double *alignment);

/* ---- subspaces, each spanned by the rows of a matrix: U (k,d), V (m,d) */

typedef struct invman_angles {
  size_t count;      /* of principal angles: the lesser rank */
  double largest;    /* in radians, 0 to pi/2 */
  double geodesic;   /* |theta|_2 */
  double chordal;    /* |sin theta|_2 */
  double projection; /* |UU' - VV'|_F = sqrt(rank U + rank V - 2 sum cos^2) */
  double overlap;    /* mean of cos^2; m/d on average between a random m-plane and a fixed one of k <= m dimensions */
} invman_angles;

/* The principal angles theta (min(k,m)), ascending; the first out->count are set. They come from cosines and sines
   alike (Bjorck and Golub, 1973), so that angles near 0 and near pi/2 are right to rounding. Rows are made orthonormal
   first; a row that depends on those before it, to 1e-12, is left out. A subspace of rank 0 is E_ARG. k, m <= d. After
   feature training the angle of the learned direction to e_1 falls like p^-1/2, from some hundred points on. O((k +
   m)^2 d) */
INVMAN_API invman_status invman_principal_angles(const invman_context *ctx, const double *U, size_t k, const double *V,
                                                 size_t m, size_t d, double *theta, invman_angles *out);
/* For each of n points x (n,d): its norm within the span of U's rows, and the squared residual outside;
   norm^2 + residual = |x|^2. O(n k d) */
INVMAN_API invman_status invman_subspace_norms(const invman_context *ctx, const double *U, size_t k, size_t d,
                                               const double *x, size_t n, double *norm /* (n) */,
                                               double *residual /* (n) */);
/* C (d,d) = (1/h) sum_n omega_n omega_n', or with weights beta_n^2 if by_beta is 1. Its top eigenvectors are the
   directions that the network looks at; invman_metric_amplification of the unweighted C is Lambda. O(h d^2) */
INVMAN_API invman_status invman_weight_covariance(const invman_context *ctx, const invman_net *net, int by_beta,
                                                  double *C);
/* sqrt((d_perp/d_par) tr C_par/tr C_perp) of a matrix C (d,d) of directions: Lambda [9] for the weights' C, Lambda_f
   for the active subspace, Lambda_g for the metric. 0 where it is not defined, infinite where tr C_perp is 0. O(d) */
INVMAN_API double invman_metric_amplification(const double *C, size_t d, size_t d_par);

/* ---- directions that matter, to a network and to the labels alone */

/* grad (n,d) = df/dx = sqrt(2)/(h sqrt(d)) sum_{z_n(x) > 0} beta_n omega_n. O(n h d) */
INVMAN_API invman_status invman_input_gradient(const invman_context *ctx, const invman_net *net, const double *x,
                                               size_t n, double *grad);
/* The active subspace (Constantine, 2015) of any function, from its gradients grad (n,d): C (d,d) = (1/n) sum grad
   grad', its eigenvalues lambda (d) and vectors V (d,d, rows), and the activity scores of the inputs,
   activity_i = sum_{j < r} lambda_j V_ji^2; r: 0 = d. A network's Lambda_f is not 1 at the start, as the signs of beta
   do not average out in one network; the pull-back metric has a baseline of 1. O(n d^2 + d^3) */
INVMAN_API invman_status invman_active_subspace(const invman_context *ctx, const double *grad, size_t n, size_t d,
                                                size_t r, double *C, double *lambda, double *V, double *activity);
/* Moments of labels and points: m1 (d) = (1/n) sum y x, M2 (d,d) = (1/n) sum y (x x' - 1). For x ~ N(0, 1_d) they have
   non-zero entries in the informative directions alone (Stein's lemma; Li, 1992), up to some 1/sqrt(n) in each entry.
   O(n d^2) */
INVMAN_API invman_status invman_stein_moments(const invman_context *ctx, const invman_data *data, double *m1,
                                              double *M2);
/* The informative directions before any training: the eigenvectors V (d,d, rows) of S = M2^2 + m1 m1', and strength
   (d), the roots of its eigenvalues, descending. noise: the largest strength that chance gives, over `draws` random
   permutations of the labels; for draws = 0 it is sqrt(5 d/n), above the 2 sqrt(d/n) of n >> d >> 1. found: the number
   of strengths above the noise by more than rounding, 1e-9 of it (a tie is no finding). If the labels are independent
   of the points, found > 0 in one of draws + 1 cases. A point far from all others makes a direction of its own, with
   the same strength for any labels, which hides weaker ones. Where a few points have most of the variance along a
   direction that is found, the finding rests on the labels of those few. A label that depends only on products of three
   coordinates is not seen. rng may be NULL for draws = 0. O((draws + 1) (n d^2 + d^3)) */
INVMAN_API invman_status invman_stein_directions(const invman_context *ctx, const invman_data *data, size_t draws,
                                                 invman_rng *rng, double *strength, double *V, double *noise,
                                                 size_t *found);
/* The pull-back metric of the features sigma(z_n)/sqrt(h) at n points: g (n,d,d), g(x) = (2/(h d)) sum_{z_n(x) > 0}
   omega_n omega_n'; log_volume (n) = ln sqrt(det g), -infinity where g is singular; amplification (n): Lambda_g. For
   infinitely many neurons at the start g = 1/d and Lambda_g = 1 everywhere. O(n h d^2); memory: d^2 doubles, and n d^2
   if g is NULL */
INVMAN_API invman_status invman_pullback_metric(const invman_context *ctx, const invman_net *net, const double *x,
                                                size_t n, size_t d_par, double *g, double *log_volume,
                                                double *amplification);

/* ---- neural collapse (Papyan, Han and Donoho, 2020) of features that are given by their Gram matrix alone */

typedef struct invman_collapse {
  size_t classes;          /* different values of y */
  double within;           /* tr Sigma_W = mean |h - its class mean|^2 */
  double between;          /* tr Sigma_B = mean over classes of |class mean - mean of all|^2 */
  double nc1_trace;        /* tr Sigma_W/tr Sigma_B */
  double nc1;              /* tr(Sigma_W Sigma_B^+)/classes */
  double nc2_norms;        /* std/mean of |class mean - mean of all|; for two classes it shows their sizes only */
  double nc2_angles;       /* largest |cos + 1/(classes - 1)| between two such differences; for two classes always 0 */
  double uncentred_cosine; /* largest |cos| between two class means as they are: 0 for unbiased, unbalanced MSE */
  double nearest_mean_error; /* share of points nearer to another class's mean (NC4 if y are the network's classes) */
} invman_collapse;

/* y (n): points with equal values are one class; there must be two classes or more. nc1 and nc1_trace are infinite
   where all class means are equal and the points are not, and 0 where all points are equal. O(n^2 + n C + C^3) */
INVMAN_API invman_status invman_neural_collapse(const invman_context *ctx, const double *K, const double *y, size_t n,
                                                invman_collapse *out);

/* ---- intrinsic dimension from distances D (n,n): symmetric, >= 0, 0 on the diagonal. Duplicates are as for
   invman_intrinsic_dimension. */

/* D_ij = sqrt(K_ii + K_jj - 2 K_ij), and 0 for what rounding may leave of 0. O(n^2) */
INVMAN_API invman_status invman_kernel_distances(const invman_context *ctx, const double *K, size_t n, double *D);
INVMAN_API invman_status invman_point_distances(const invman_context *ctx, const double *x, size_t n, size_t d,
                                                double *D); /* O(n^2 d) */
INVMAN_API invman_status invman_median_distance(const invman_context *ctx, const double *D, size_t n,
                                                double *median); /* of i < j; O(n^2 log n), n^2/2 doubles */

enum { INVMAN_TWO_NN_MLE = 0, INVMAN_TWO_NN_FIT = 1 };
enum { INVMAN_LID_MLE = 0, INVMAN_LID_MOMENTS = 1, INVMAN_LID_AMSALEG = 2 };

/* TwoNN (Facco et al., 2017) from mu = r2/r1. MLE: (N-1)/sum ln mu, unbiased. FIT: the slope through the origin of
   -ln(1 - F) against ln mu, F = i/N, without the largest tenth. Points that have a duplicate are left out and N counts
   the others; fewer than three are E_ARG. The standard error is some dimension/sqrt(N). O(n^2) */
INVMAN_API invman_status invman_two_nn(const invman_context *ctx, const double *D, size_t n, int method,
                                       double *dimension);
/* The local intrinsic dimension lid (n) at each point, from the distances r_1 <= .. <= r_k to its k nearest others.
   MLE: (k - 1)/sum_j ln(r_k/r_j) (Levina and Bickel, 2004). AMSALEG: k in place of k - 1 (Amsaleg et al., 2018), which
   is twice as much at k = 2. MOMENTS: m/(r_k - m), m = mean_j r_j (the same authors). lid is infinite where all k are
   equally far up to rounding, as on a lattice. Points that have a duplicate are left out, as centres and as neighbours,
   with lid = 0. harmonic: 1 over the mean of 1/lid of the other points (MacKay and Ghahramani, 2005), to which an
   infinite lid adds 0. geometric: the mean over those whose lid is finite. Both are infinite where every lid is. k is
   at least 2 and below the number of the other points, else E_ARG. O(n^2 log k) */
INVMAN_API invman_status invman_local_dimension(const invman_context *ctx, const double *D, size_t n, size_t k,
                                                int method, double *lid, double *harmonic, double *geometric);
INVMAN_API double invman_lid_distance(double a, double b); /* Fisher-Rao distance |ln(a/b)| of two local laws */
/* The length of the minimum spanning tree (Prim, 1957). O(n^2) */
INVMAN_API invman_status invman_mst_length(const invman_context *ctx, const double *D, size_t n, double *length);
/* 1/(1 - s), with s the slope of ln length against ln N over the first n/16, n/8, .. n points, which must be in random
   order. n >= 64. It is biased down: 4.6 for a uniform density in a cube of 5 dimensions, N up to 4000. E_ARG where a
   length is 0; infinite for s >= 1. O(n^2) */
INVMAN_API invman_status invman_mst_dimension(const invman_context *ctx, const double *D, size_t n, double *dimension);

/* ---- diffusion spectral entropy (Liao et al., 2023), in bits: -sum p log2 p with p = a/sum a, a_i = |lambda_i|^t,
   over the eigenvalues lambda_i of K_ij = G_ij/sqrt(q_i q_j) without the largest, which is 1; G = exp(-D^2/(2
   sigma^2)), q its row sums */

/* The entropy is 0 to log2(n-1), and 0 if all points are equal. sigma: 0 = 10, as in the authors' program; for a Gram
   matrix's distances invman_median_distance is a better scale. t > 0: 0 = 1. O(n^3), n^2 doubles */
INVMAN_API invman_status invman_diffusion_entropy(const invman_context *ctx, const double *D, size_t n, double sigma,
                                                  double t, double *bits);
/* The diffusion spectral mutual information with classes y (equal values are one class): sum_c (n_c/n) [mean of the
   entropy of `draws` (0 = 5) random subsets of n_c points - entropy of class c]. For labels that are independent of the
   points it is near 0, and may be below. O(draws C n_c^3) */
INVMAN_API invman_status invman_diffusion_information(const invman_context *ctx, const double *D, const double *y,
                                                      size_t n, double sigma, double t, size_t draws, invman_rng *rng,
                                                      double *bits);

/* ---- curvature and pieces of a network */

/* The spectrum of the Hessian of (1/(p alpha)) sum max(0, 1 - y F), the objective whose flow is [2], in closed form:
   {+rate_n, -rate_n} and h d zeros, where rate_n = |v_n|, v_n = (sqrt(2)/(h p)) sum_{z_n(x_mu) > 0} g_mu y_mu
   (x_mu/sqrt(d), 1). By [4] neuron n grows as exp(rate_n t). rate (h), v (h,d+1); g (n) are the multipliers, NULL = 1
   for every point. For a loss of second derivative 1, J'J/p has the eigenvalues of K/p. O(n h d) */
INVMAN_API invman_status invman_hessian_spectrum(const invman_context *ctx, const invman_net *net,
                                                 const invman_data *data, const double *g, double *rate, double *v);
/* The pieces of f on the segment from a (d) to b (d). f is affine between consecutive crossings t (h), ascending in
   (0,1), at which a neuron with beta_n != 0 changes sides; the first `count` entries are set. The number of pieces is
   count + 1 if no two t are equal. A random network has h theta/pi crossings on average, theta the angle between
   (a/sqrt(d), 1) and (b/sqrt(d), 1). O(h d + h log h) */
INVMAN_API invman_status invman_linear_regions(const invman_context *ctx, const invman_net *net, const double *a,
                                               const double *b, double *t, size_t *count);
/* The number of different patterns of active neurons (z_n > 0) among n points. O(n h d), n h bits */
INVMAN_API invman_status invman_activation_patterns(const invman_context *ctx, const invman_net *net, const double *x,
                                                    size_t n, size_t *patterns);
/* sum_{j <= d} C(h,j), the most regions that h hyperplanes cut R^d into (Zaslavsky, 1975); rounded, infinite on
   overflow */
INVMAN_API double invman_region_bound(size_t h, size_t d);

/* A network whose first layer starts with W'W = h 1 exactly, so that Lambda = 1 for every split; b and beta are N(0,1).
   h >= d, else E_ARG. The tangent kernel of this network fluctuates no less for it. Free `out` after use. O(h d^2) */
INVMAN_API invman_status invman_net_init_orthogonal(const invman_context *ctx, size_t h, size_t d, invman_rng *rng,
                                                    invman_net *out);

/* ---- doubly stochastic mixing, in the sense of "The Homogeneity Trap" (arXiv 2601.02080): a matrix M >= 0 (n,n) whose
   rows and columns sum to 1 keeps the mean, and contracts the detail, which is orthogonal to the mean, to at most
   sigma_2 of its size */

typedef struct invman_sinkhorn_info {
  size_t sweeps;   /* over rows and columns */
  double residual; /* largest |sum - 1| of a row or column of the returned M */
} invman_sinkhorn_info;

/* The doubly stochastic M (n,n) that maximises <M,G> + tau H(M), tau > 0: M_ij = exp((G_ij + u_i + v_j)/tau).
   Sinkhorn's sweeps (1967) in logarithms run until residual < tol (0 = 1e-12). NOT_CONVERGED after max_sweeps (0 =
   10000), as is bound to happen for small tau, or STOPPED by ctx->progress; M is then what there is. G = -infinity
   makes a zero. A row or column of nothing else, or another non-finite G, is an error with the element. Adding u_i +
   v_j to G, however large, changes nothing except by rounding G: they are subtracted in twofold precision, and so is
   what the sweeps add wherever it grows large. invman_mixing_measures takes an M of residual up to 1e-6. M may be G.
   Cost: 2 n^2 exponentials a sweep; n^2 doubles beside M and G */
INVMAN_API invman_status invman_sinkhorn(const invman_context *ctx, const double *G, size_t n, double tau, double tol,
                                         size_t max_sweeps, double *M, invman_sinkhorn_info *info);
/* The singular values sigma (n) of P M P, P = 1 - 11'/n, descending; the last one is 0. For a doubly stochastic M they
   are those of M without the 1 of the constant vector, sigma_2 first. For logits G, tau sigma_2(M(tau)) -> sigma_1/n as
   tau -> infinity. They are computed from [[0,A],[A',0]], A = P M P, and are right to DBL_EPSILON |M|; values below 4
   DBL_EPSILON |M| are 0. A itself is right to DBL_EPSILON |A|, whatever its rows and columns have in common. O(n^3),
   5 n^2 doubles */
INVMAN_API invman_status invman_centred_singular_values(const invman_context *ctx, const double *M, size_t n,
                                                        double *sigma);

typedef struct invman_mixing {
  double sigma_2;    /* 0 to 1, or to 1 + residual where M is not exactly doubly stochastic */
  double entropy;    /* -sum M ln M, 0 to n ln n */
  double share;      /* entropy/(n ln n): 1 for 11'/n, 0 for a permutation */
  double least;      /* smallest entry */
  double by_least;   /* a bound: sigma_2 <= 1 - n least */
  double by_norm[2]; /* bounds: sqrt((|M|_F^2 - 1)/(n - 1)) <= sigma_2 <= sqrt(|M|_F^2 - 1) */
  double by_entropy; /* a bound: sigma_2 <= sqrt(2 (n ln n - entropy)), by Pinsker's inequality row by row */
  double residual;   /* largest |sum - 1| of a row or column */
} invman_mixing;

/* Measures a doubly stochastic M (n,n), n >= 2, for which the bounds hold. A sum farther than 1e-6 from 1, or an entry
   below 0, is E_ARG. The entropy grows with tau; sigma_2 need not fall for all logits. O(n^3) */
INVMAN_API invman_status invman_mixing_measures(const invman_context *ctx, const double *M, size_t n,
                                                invman_mixing *out);
/* M <- (1 - a) 1 + a M, a in [0,1], as a residual connection does: sigma_2 <= 1 - a + a sigma_2(M), and |M_a - 1|_2 <=
   2a. For a -> 0 the detail survives because nothing is done to it. O(n^2) */
INVMAN_API invman_status invman_mix_with_identity(const invman_context *ctx, double *M, size_t n, double a);
/* The number of layers after which the detail is eps of what it was, ln(1/eps)/ln(1/sigma_2); 0 for sigma_2 <= 0,
   infinite for sigma_2 >= 1 less rounding. 0 < eps < 1, else 0 */
INVMAN_API double invman_effective_depth(double sigma_2, double eps);
/* The first L with sigma_2[0] .. sigma_2[L-1] <= eps (their product); layers + 1 if there is none */
INVMAN_API size_t invman_chain_depth(const double *sigma_2, size_t layers, double eps);

/* LayerNorm without gain and bias, v (n) <- sqrt(n) P v/sqrt(|P v|^2 + n eps), eps >= 0; a constant v gives zeros.
   Right to some DBL_EPSILON of the largest entry, whatever the mean and the scale of v are. It removes what mixing
   keeps and rescales the rest: a signal-to-noise ratio that is lost stays lost. O(n) */
INVMAN_API void invman_layer_norm(double *v, size_t n, double eps);
/* The signal-to-noise ratio snr = r^2/((n - 1) noise^2) of a signal r = |P M^L x| under noise N(0, noise^2 1_n); after
   L layers snr_L <= snr_0 prod sigma_2^2. The mean cosine between LayerNorm's outputs with and without noise is about
   sqrt(snr/(1 + snr)); between two noisy ones it is about snr/(1 + snr). */
INVMAN_API double invman_snr(double r, double noise, size_t n); /* n >= 2; infinite without noise */
INVMAN_API double invman_snr_cosine(double snr);
INVMAN_API double invman_critical_snr(double cosine); /* the snr that has this mean cosine, c^2/(1 - c^2) */
/* The number of layers after which snr_0 has fallen to the snr_c of that cosine, ln(snr_0/snr_c)/(2 ln(1/sigma_2)); 0
   where snr_0 is below snr_c, and for sigma_2 <= 0 */
INVMAN_API double invman_critical_depth(double snr_0, double cosine, double sigma_2);
/* The bound |cosine| <= (r + noise sqrt(2t))/(noise sqrt(n - 2 - 2 sqrt((n-2) t))), which holds with probability
   1 - 3 e^-t at least (Laurent and Massart, 2000); 1 where it exceeds 1 or is not defined. */
INVMAN_API double invman_cosine_bound(double r, double noise, size_t n, double t);
/* The noise power after `layers` layers, each of which adds 1, in a mode of eigenvalue mu:
   (1 - mu^(2 layers))/(1 - mu^2) */
INVMAN_API double invman_mode_noise(double mu, size_t layers);
#endif /* INVMAN_NO_DIAGNOSTICS */

#ifndef INVMAN_NO_CONVNET
/* ------------------------------------------------------------------------------------ convolutional network

   The network of the paper's Fig. 8: sixteen convolutions and a classifier, after MnasNet (Tan et al., 2019), without
   batch normalisation. Every convolution is out = conv(in, w)/sqrt(fan-in), without bias, where fan-in is the number of
   weights per output channel; it is 5x5 with a border of two zeros, or 1x1. The activation is 1.6768 z/(1 + exp(-z)).
   Channels, with [u] for u rounded half to even, at least 1:
     stem        5x5 to [4h], stride 2; then 5x5 depthwise, 1x1 to [2h]; activation after each
     block i     1x1 to three times the channels, 5x5 depthwise of stride 2, 1x1 to [(2i+1)h]; the last one is linear.
                 Then layers - 1 times the same at stride 1 to as many channels, whose output is (its input + what it
                 computes)/sqrt(2)
     head        1x1 to [20h], activation; mean over the positions; f = w.mean/fan-in + b
   A stride of two halves a side, rounding up. At the start all weights are N(0,1) and b is 0. */

typedef struct invman_convnet invman_convnet; /* opaque; remembers the context it was made with */

typedef struct invman_convnet_options {
  size_t channels, height, width; /* of an image, each 1 or more */
  double width_factor;            /* h, > 0; 0 = 10 */
  size_t blocks, layers;          /* 0 = 2; there are 4 + 3 blocks layers convolutions */
  /* Bytes that per-sample gradients (three quarters of it) and activations (a quarter) may take; 0 = 512 MiB. One group
     of eight images and sixteen gradients are taken in any case. */
  size_t memory;
} invman_convnet_options;

enum { INVMAN_CONV_DENSE = 0, INVMAN_CONV_DEPTHWISE = 1, INVMAN_CONV_POINTWISE = 2 };

typedef struct invman_convnet_layer {
  int kind;              /* INVMAN_CONV_DENSE, INVMAN_CONV_DEPTHWISE or INVMAN_CONV_POINTWISE */
  size_t in, out;        /* channels */
  size_t kernel, stride; /* 5 or 1; 1 or 2 */
  size_t height, width;  /* of its output */
  size_t first, weights; /* index and number of its weights: (out, in, 5, 5), (out, 5, 5) or (out, in) */
} invman_convnet_layer;

/* rng draws the weights, in their order. Free `out` after use. Errors: E_ARG, E_SIZE, E_NOMEM. */
INVMAN_API invman_status invman_convnet_create(const invman_context *ctx, const invman_convnet_options *options,
                                               invman_rng *rng, invman_convnet **out);
INVMAN_API invman_status invman_convnet_copy(const invman_convnet *net, invman_convnet **out); /* same context */
INVMAN_API void invman_convnet_free(invman_convnet *net);

INVMAN_API size_t invman_convnet_size(const invman_convnet *net); /* N, all weights: 23251 for MNIST's images */
/* The weights (N), owned by the network, to be read and written: layer by layer, then the classifier's w and b. */
INVMAN_API double *invman_convnet_weights(invman_convnet *net);
INVMAN_API size_t invman_convnet_layers(const invman_convnet *net); /* number of convolutions; 16 by default */
INVMAN_API invman_status invman_convnet_get_layer(const invman_convnet *net, size_t which, invman_convnet_layer *out);

/* f (n) of the images x (n, channels*height*width), channels first; 1.2e6 multiply-adds for one image of MNIST. Memory,
   here and below: room for eight groups of eight images, or n/64 groups if that is more, as far as options.memory
   allows; a group of MNIST's images takes 3 MB, with gradients 6 MB. Errors: E_ARG, E_SIZE, E_NOMEM, E_NONFINITE with
   the element of the weights, the images or r. */
INVMAN_API invman_status invman_convnet_eval(const invman_convnet *net, const double *x, size_t n, double *f);
/* grad (N) = sum_mu r_mu df/dW(x_mu), overwritten. It costs three times as much as f. */
INVMAN_API invman_status invman_convnet_gradient(const invman_convnet *net, const double *x, size_t n,
                                                 const double *r /* (n) */, double *grad);
/* The Jacobian J (n,N): row mu is df/dW(x_mu). */
INVMAN_API invman_status invman_convnet_jacobian(const invman_convnet *net, const double *x, size_t n, double *J);
/* K (n,m) = J(x) J(z)' of the weights that `part` names: INVMAN_NTK_ALL, _FIRST_LAYER (the stem) or _LAST_LAYER (the
   classifier). INVMAN_NTK_HIDDEN is the Gram matrix of the means that the classifier sees, over sqrt(fan-in). If z is
   NULL, m is ignored, K (n,n) is symmetric, and only one triangle of it is computed. While the gradients of x and z fit
   in options.memory each is computed once; else x is taken in blocks, and z is computed anew for each block. It takes
   17 MB beside that. STOPPED by ctx->progress; K is then incomplete. */
INVMAN_API invman_status invman_convnet_ntk_gram(const invman_convnet *net, int part, const double *x, size_t n,
                                                 const double *z, size_t m, double *K);

/* The network as a model for invman_train_model and the other functions of a model, which then train its weights. The
   data are images, d = channels*height*width. Within a flow the Gram matrix does not report progress. */
INVMAN_API invman_model invman_convnet_model(invman_convnet *net);

#ifndef INVMAN_NO_IO
/* The file is like invman_net_save's, of kind "CONV": uint64 channels, height, width, double width_factor, uint64
   blocks, layers, memory, then the weights (N). */
INVMAN_API invman_status invman_convnet_save(const invman_convnet *net, const char *path);
INVMAN_API invman_status invman_convnet_load(const invman_context *ctx, const char *path, invman_convnet **out);
#endif /* INVMAN_NO_IO */
#endif /* INVMAN_NO_CONVNET */

#ifndef INVMAN_NO_IO
/* ------------------------------------------------------------------------------------------------- files */

/* A file for results of your own that, like those which this library saves, is either whole or not there under its
   name. It is written under a unique name in the same directory (path.tmp and eight random letters), flushed to the
   disk and then renamed. A symbolic link is followed and stays. The new file takes the mode of the one it replaces, and
   its owner where that is permitted; other hard links to the old file keep it. A path that is no plain file (a device,
   a FIFO, /dev/stdout) is written to directly. On Windows paths are UTF-8; a path that is not valid UTF-8 is taken to
   be in the system's code page. If the process is killed, the temporary file may stay. The call needs the right to
   write to the directory, not to the file.
     invman_file *file;
     FILE *stream;
     if (invman_file_create(&ctx, "result.csv", &file) < 0) return 1;
     stream = (FILE *)invman_file_stream(file);
     fprintf(stream, ...);
     status = invman_file_commit(file); */
typedef struct invman_file invman_file;

/* Give `out` to either _commit or _discard. Errors: E_ARG, E_NOMEM, E_IO with the reason in ctx->error, for example
   that there is no such directory, or that the name is that of a directory. */
INVMAN_API invman_status invman_file_create(const invman_context *ctx, const char *path, invman_file **out);
/* The file's FILE *, binary and buffered. Do not close it; _commit alone tells whether everything was written. */
INVMAN_API void *invman_file_stream(invman_file *file);
/* Gives the file its name and frees `file`. E_IO where anything failed: the name then still has what it had before. */
INVMAN_API invman_status invman_file_commit(invman_file *file);
/* Frees `file` and leaves nothing behind, except for what a device or FIFO has already received. NULL is fine. */
INVMAN_API void invman_file_discard(invman_file *file);
/* Can `path` be written? To be asked before long work; it leaves nothing behind and does not touch a device or FIFO. */
INVMAN_API invman_status invman_file_check(const invman_context *ctx, const char *path);
#endif /* INVMAN_NO_IO */

#ifdef __cplusplus
}
#endif

#endif /* INVMAN_H */

/* ========================================================================================================
   Implementation

   Its sections, in their order; search for the tag:
     >>core         memory in scopes, errors, threads, sizes that do not overflow
     >>rng          the random generator; exponential, logarithm and normal draws that do not depend on the C library
     >>linalg       vector lanes and instruction sets, matrix products, numbers of twofold precision
     >>eigen        symmetric eigenproblems: all pairs by divide and conquer, the largest by Lanczos
     >>stats        sorting, heaps, shuffles, medians, power laws and their intervals
     >>data         models of points and labels, their boundaries, sampling
     >>network      Eq. (1): packed weights, and the sweeps over neurons and points for f and its gradient; Lambda
     >>ntk          Gram matrices of the tangent kernel, of a network and of infinitely many neurons in several layers
     >>hinge        the hinge loss: its margin step, solved event by event. The active-set method at an event, with the
                    argument against cycling; the same method again in twofold precision
     >>lazy         the hinge flow with a frozen kernel: which precision, when it ends, the certificate
     >>smooth       the other losses: each one is an invman_i_loss; their margin step by implicit Euler
     >>flow         the stepper: one step and its error, step lengths, points far above their margin, tolerances, when a
                    run ends, options and their ranges. It reaches what it moves through the table invman_i_backend only
     >>flow_net     the backend of a network: rotation of neurons, held gates, single precision
     >>flow_model   the backend of a caller's model; models that contradict themselves; invman_model_check
     >>momentum     the paper's explicit dynamics of a model; making the flow of a model, by either dynamics
     >>kpca         kernel principal components, mutual information with the label, TwoNN
     >>theory       the stripe model for p -> infinity: averages, fixed points, neuron equations, exponents
     >>rfm          kernels whose metric is learned: radial kernels, the gradient's outer product, the rounds
     >>diagnostics  measures of spectra, kernels, subspaces, representations, pieces and mixing matrices
     >>convnet      the convolutional network, its gradients and Gram matrices, and itself as a model
     >>io           files: written whole or not at all, CSV, IDX, networks, saved flows

   Where to make a change:
     a loss         (convex) a name in the enum of INVMAN_HINGE, and its line at `loss`; its case in
                    invman_i_loss_value, invman_i_multiplier and invman_i_is_near in >>smooth: a point that is not near
                    has g = 1 below its margin and g = 0 above it; the range of `loss` in invman_i_resolve_options in
                    >>flow. A parameter of its own also: invman_i_loss, invman_i_flow_take, and the head of "a flow's
                    file" in >>io
     a backend      one struct and one table invman_i_backend (declared in >>flow) of functions that take the struct as
                    `self_`, in a section like >>flow_net or >>flow_model; a function that makes a flow with it and
                    checks its options, as invman_i_make_flow (network) and invman_i_make_model_flow (model, in
                    >>momentum); if its flows are to be saved, what it holds in "a flow's file" in >>io
     the rule against cycling  the argument is at the head of >>hinge; invman_i_violator chooses the next point,
                    invman_i_drive moves it, and invman_i_settle holds the cap on the number of drives. Each has a twin
                    invman_i_exact_.. in twofold precision, where points that depend linearly on the free ones are set
                    aside (`flat`). The test is margins_every_drive_lowers
     a kernel       >>ntk; a kernel of your own needs no change, since invman_lazy_train takes any Gram matrix
     an option      its field above; its default and range in invman_i_resolve_options in >>flow; if a resumed run must
                    have the same, the head of "a flow's file" in >>io
   ======================================================================================================== */
#if defined(INVMAN_IMPLEMENTATION) && !defined(INVMAN_NO_IMPLEMENTATION) && !defined(INVMAN_I_IMPLEMENTED)
#define INVMAN_I_IMPLEMENTED

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#elif defined(__unix__) || defined(__unix) || defined(__APPLE__) || defined(__HAIKU__)
#define INVMAN_I_POSIX
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#endif
#if defined(_OPENMP) && !defined(__clang__) && !defined(_WIN32)
#define INVMAN_I_FORK
#include <unistd.h>
#endif
#ifdef INVMAN_USE_CBLAS
#ifndef INVMAN_CBLAS_HEADER
#define INVMAN_CBLAS_HEADER <cblas.h>
#endif
#include INVMAN_CBLAS_HEADER
#endif

#if (defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)) && \
    !defined(INVMAN_ALLOW_FAST_MATH)
#error "invman.h: -ffast-math removes the checks for NaN and infinity; compile this file without it"
#endif

/* Whether doubles are kept in wider registers, as those of the x87 are. */
#ifdef FLT_EVAL_METHOD
#define INVMAN_I_WIDER (FLT_EVAL_METHOD < 0 || FLT_EVAL_METHOD == 2)
#elif defined(__i386__)
#define INVMAN_I_WIDER 1
#else
#define INVMAN_I_WIDER 0
#endif

#ifdef INVMAN_PORTABLE
#if INVMAN_I_WIDER
#error "invman.h: INVMAN_PORTABLE needs doubles that are not kept in wider registers; on i386: -msse2 -mfpmath=sse"
#endif
#ifdef INVMAN_USE_CBLAS
#error "invman.h: INVMAN_PORTABLE cannot promise what BLAS does; leave INVMAN_USE_CBLAS out"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__TINYC__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-tree-vectorize") /* whose fmaddsub would be fused all the same (GCC 12) */
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif
#endif

/* The compiler spends less effort on the code from COLD to HOT: runs take as long as before, and compiling this file
   takes a third less time. GCC's expensive-optimizations stay, since the vector kernels' products are fused by them.
   Where GCC may fuse products in plain code too (-march=native), which of them it fuses would differ from loop to loop,
   and the last digits with it: there all code is treated alike. */
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__) && defined(__clang__)
#define INVMAN_I_COLD _Pragma("clang attribute push(__attribute__((minsize)), apply_to = function)")
#define INVMAN_I_HOT  _Pragma("clang attribute pop")
#elif defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__) && defined(__GNUC__) && !defined(__FP_FAST_FMA)
#define INVMAN_I_COLD _Pragma("GCC push_options") _Pragma("GCC optimize(\"O1\", \"expensive-optimizations\")")
#define INVMAN_I_HOT  _Pragma("GCC pop_options")
#else
#define INVMAN_I_COLD
#define INVMAN_I_HOT
#endif

#if defined(__GNUC__)
#define INVMAN_I_INLINE static inline __attribute__((always_inline, unused))
#else
#define INVMAN_I_INLINE static inline
#endif

#ifndef INVMAN_MALLOC
#define INVMAN_MALLOC(bytes) malloc(bytes)
#define INVMAN_FREE(block)   free(block)
#endif

/* ================================================================================================= >>core
   Memory, errors and threads. All other sections take memory, report errors and share work through these functions. */

static invman_status invman_i_fail(const invman_context *ctx, invman_status status, const char *what, const char *unit,
                                   size_t place) {
  if (ctx && ctx->error) {
    ctx->error->what = what;
    ctx->error->unit = unit;
    ctx->error->place = place;
  }
  return status;
}

static invman_status invman_i_bad(const invman_context *ctx, const char *what) {
  return invman_i_fail(ctx, INVMAN_E_ARG, what, "", 0);
}

#define INVMAN_I_COUNT(table) (sizeof(table) / sizeof *(table))

INVMAN_I_INLINE size_t invman_i_min(size_t a, size_t b) { return a < b ? a : b; }
INVMAN_I_INLINE size_t invman_i_max(size_t a, size_t b) { return a > b ? a : b; }
static double invman_i_worst(double a, double b) { return a >= b ? a : b == b ? b : HUGE_VAL; } /* a is no NaN */
static double invman_i_or(double value, double fallback) { return value == 0 ? fallback : value; }
INVMAN_I_INLINE int invman_i_isfinite(double x) { return x >= -DBL_MAX && x <= DBL_MAX; }

static invman_status invman_i_check_finite(const invman_context *ctx, const double *x, size_t n, const char *what) {
  size_t i;
  for (i = 0; i < n; i++)
    if (!invman_i_isfinite(x[i])) return invman_i_fail(ctx, INVMAN_E_NONFINITE, what, "element", i);
  return INVMAN_OK;
}

/* A result may overflow where the input is finite; it is then emptied. */
static invman_status invman_i_check_result(const invman_context *ctx, double *x, size_t n, const char *what) {
  invman_status status = invman_i_check_finite(ctx, x, n, what);
  if (status < 0) memset(x, 0, n * sizeof *x);
  return status;
}

/* a*b, or SIZE_MAX where that overflows: no block of that size can exist, so invman_i_take() refuses it. */
static size_t invman_i_mul(size_t a, size_t b) { return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b; }
static size_t invman_i_add(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

/* All memory belongs to a scope, which remembers its blocks and its first failure: a function takes what it
   needs, asks once whether all of it came, and drops everything in one call. */
typedef struct invman_i_block {
  struct invman_i_block *next;
  void *base;
  size_t bytes;
} invman_i_block;
typedef struct invman_i_scope {
  const invman_context *ctx;
  invman_i_block *first;
  invman_status status;
} invman_i_scope;

enum { INVMAN_I_ALIGN = 64, INVMAN_I_BLOCK_EXTRA = 2 * INVMAN_I_ALIGN };

static invman_i_scope invman_i_open(const invman_context *ctx) {
  invman_i_scope scope;
  scope.ctx = ctx;
  scope.first = NULL;
  scope.status = ctx && !ctx->alloc != !ctx->release
                     ? invman_i_bad(ctx, "context: alloc and release must be given together")
                     : INVMAN_OK;
  return scope;
}

/* Room for `count` elements of `size` bytes, 64-byte aligned; NULL once anything has failed in this scope. */
static void *invman_i_take_unset(invman_i_scope *scope, size_t count, size_t size) {
  const invman_context *ctx = scope->ctx;
  size_t bytes = invman_i_mul(count, size);
  unsigned char *base, *memory;
  invman_i_block *block;
  if (scope->status < 0) return NULL;
  if (bytes > SIZE_MAX / 2 - INVMAN_I_BLOCK_EXTRA) {
    scope->status = invman_i_fail(ctx, INVMAN_E_SIZE, "sizes too large: their product overflows", "", 0);
    return NULL;
  }
  bytes += INVMAN_I_BLOCK_EXTRA;
  base = (unsigned char *)(ctx && ctx->alloc ? ctx->alloc(bytes, ctx->user) : INVMAN_MALLOC(bytes));
  if (!base) {
    scope->status = invman_i_fail(ctx, INVMAN_E_NOMEM, "out of memory", "bytes wanted", bytes);
    return NULL;
  }
  memory = base + INVMAN_I_BLOCK_EXTRA - (uintptr_t)base % INVMAN_I_ALIGN;
  block = (invman_i_block *)(void *)(memory - sizeof(invman_i_block));
  block->next = scope->first;
  block->base = base;
  block->bytes = bytes;
  scope->first = block;
  return memory;
}

static void *invman_i_take(invman_i_scope *scope, size_t count, size_t size) { /* the same, zeroed */
  void *memory = invman_i_take_unset(scope, count, size);
  if (memory) memset(memory, 0, scope->first->bytes - INVMAN_I_BLOCK_EXTRA);
  return memory;
}

static double *invman_i_doubles(invman_i_scope *scope, size_t count) {
  return (double *)invman_i_take(scope, count, sizeof(double));
}

static void invman_i_release(const invman_context *ctx, invman_i_block *block) {
  void *base = block->base;
  if (ctx && ctx->release) ctx->release(base, block->bytes, ctx->user);
  else INVMAN_FREE(base);
}

/* Gives one block back before its scope ends. */
static void invman_i_give(invman_i_scope *scope, void *memory) {
  invman_i_block **link = &scope->first, *block;
  if (!memory) return;
  block = (invman_i_block *)(void *)((unsigned char *)memory - sizeof(invman_i_block));
  while (*link != block) link = &(*link)->next;
  *link = block->next;
  invman_i_release(scope->ctx, block);
}

/* Gives everything back and returns the scope's status: `return invman_i_close(&scope);` ends a failed call. */
static invman_status invman_i_close(invman_i_scope *scope) {
  while (scope->first) {
    invman_i_block *block = scope->first;
    scope->first = block->next;
    invman_i_release(scope->ctx, block);
  }
  return scope->status;
}

/* For memory that outlives its scope: one block, handed to the caller and later given back by its address. */
static void invman_i_free(const invman_context *ctx, void *memory) {
  if (memory) invman_i_release(ctx, (invman_i_block *)(void *)((unsigned char *)memory - sizeof(invman_i_block)));
}

typedef void (*invman_i_task)(size_t which, void *arg);

#ifdef _OPENMP
/* Whether OpenMP has threads for the calling one. GCC's keeps a team for each thread that has asked for one, and in a
   forked child waits for ever for the parent's. So each remembers the process in which it first asked, and works alone
   in any other. (The OpenMP of clang starts anew in a child, and Windows does not fork.) */
static int invman_i_has_team(void) {
#ifdef INVMAN_I_FORK
  static long process;
#pragma omp threadprivate(process)
  long here = (long)getpid();
  if (process == 0) process = here;
  return process == here;
#else
  return 1;
#endif
}
#endif

/* The grid of tasks depends on the problem's size only and every task writes its own results, so that the number
   of threads never changes a bit. work: multiply-adds in all; what is done in microseconds is not worth a thread. */
static void invman_i_parallel(const invman_context *ctx, size_t tasks, invman_i_task task, void *arg, double work) {
  ptrdiff_t i, n = (ptrdiff_t)tasks;
  int spread = tasks > 1 && work > 2e5;
  if (spread && ctx && ctx->parallel_for) {
    ctx->parallel_for(tasks, task, arg, ctx->user);
    return;
  }
#ifdef _OPENMP
#pragma omp parallel for schedule(dynamic) if (spread && invman_i_has_team())
#endif
  for (i = 0; i < n; i++) task((size_t)i, arg);
}

#define INVMAN_I_CASE(name, value, text) \
  case name:                             \
    return text;
const char *invman_status_string(invman_status status) {
  switch (status) { INVMAN_STATUS_LIST(INVMAN_I_CASE) }
  return "unknown status";
}
const char *invman_end_string(int end) {
  switch (end) { INVMAN_END_LIST(INVMAN_I_CASE) }
  return "unknown end";
}
#undef INVMAN_I_CASE

int invman_version(void) { return INVMAN_VERSION; }

/* ================================================================================================== >>rng
   xoshiro256++ (Blackman and Vigna 2021), seeded by SplitMix64 (Steele, Lea and Flood 2014). Normals are
   Wichura's inverse cumulative distribution AS241 (1988), one draw each. */

static uint64_t invman_i_mix(uint64_t z) { /* SplitMix64's finaliser: a bijection */
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

void invman_rng_seed(invman_rng *rng, uint64_t seed, uint64_t stream) {
  const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
  uint64_t i;
  if (!rng) return;
  /* With the other one fixed, every word is a bijection of the seed and of the stream. */
  for (i = 0; i < 4; i++) rng->state[i] = invman_i_mix(invman_i_mix(seed + (i + 1) * golden) + (stream + 1) * golden);
  if (!(rng->state[0] | rng->state[1] | rng->state[2] | rng->state[3])) rng->state[0] = golden;
}

static uint64_t invman_i_rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t invman_rng_next(invman_rng *rng) {
  uint64_t *s = rng ? rng->state : NULL, result, t;
  if (!s) return 0;
  result = invman_i_rotl(s[0] + s[3], 23) + s[0];
  t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = invman_i_rotl(s[3], 45);
  return result;
}

double invman_rng_uniform(invman_rng *rng) {
  return (double)(invman_rng_next(rng) >> 11) * (1.0 / 9007199254740992.0); /* 53 bits */
}

/* A product that no compiler may fuse with the sum it enters: normals are the same bits with and without FMA. */
static double invman_i_product(double a, double b) {
  volatile double product = a * b;
  return product;
}

static double invman_i_horner(const double *c, size_t count, double x) {
  double sum = c[--count];
  while (count > 0) sum = invman_i_product(sum, x) + c[--count];
  return sum;
}
#define INVMAN_I_HORNER(series, x) invman_i_horner(series, INVMAN_I_COUNT(series), x)

/* ---- functions whose bits must not depend on the C library: by + - * / and powers of two alone, to 3 ulp.
   log x, x >= 0: x = m 2^e with m in (0.7, 1.42), and log m = 2 atanh((m-1)/(m+1)). */
static double invman_i_log(double x) {
  static const double series[] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9, 1.0 / 11,
                                  1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21};
  const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  uint64_t bits;
  double m, s, e, subnormal = 0;
  if (!(x > 0 && x <= DBL_MAX)) return x > 0 ? x : x == 0 ? -HUGE_VAL : (x - x) / (x - x);
  if (x < DBL_MIN) {
    x *= 18014398509481984.0; /* 2^54 */
    subnormal = 54;
  }
  memcpy(&bits, &x, sizeof bits);
  e = (double)(int)(bits >> 52) - 1022 - subnormal;
  bits = (bits & UINT64_C(0xfffffffffffff)) | UINT64_C(0x3fe0000000000000); /* m in [0.5, 1) */
  memcpy(&m, &bits, sizeof m);
  if (m < 0.70710678118654752) {
    m += m;
    e -= 1;
  }
  s = (m - 1) / (m + 1);
  return invman_i_product(e, ln2_high) +
         (invman_i_product(2 * s, INVMAN_I_HORNER(series, invman_i_product(s, s))) + invman_i_product(e, ln2_low));
}

static double invman_i_exp(double x) { /* 2^k exp(r), |r| < 0.35, by its series */
  static const double series[] = {
      1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800.0};
  const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  double r;
  int k;
  if (!(x < 709.79 && x > -746)) return x != x ? x : x > 0 ? HUGE_VAL : 0;
  k = (int)floor(invman_i_product(1.44269504088896340736, x) + 0.5);
  r = (x - invman_i_product(k, ln2_high)) - invman_i_product(k, ln2_low);
  return ldexp(INVMAN_I_HORNER(series, r), k);
}

static double invman_i_log1p(double x) { /* x >= 0; the rounding of 1 + x is made up for (Hewlett-Packard's way) */
  double u = 1 + x;
  return u > 1 && u <= DBL_MAX ? invman_i_log(u) * (x / (u - 1)) : x;
}

static double invman_i_power(double x, double y) { return invman_i_exp(y * invman_i_log(x)); } /* x > 0 */

static double invman_i_cbrt(double x) { /* x >= 0 */
  double y;
  if (!(x > 0 && x <= DBL_MAX)) return x;
  y = invman_i_exp(invman_i_log(x) / 3);
  return y - (y - x / y / y) / 3;
}

static double invman_i_sinh(double x) { /* x >= 1/4 */
  double e = invman_i_exp(x);
  return 0.5 * e - 0.5 / e;
}

/* The normal deviate with probability 1/2 + q below it, |q| < 1/2. */
static double invman_i_normal_quantile(double q) {
  static const double a[] = {3.3871328727963666080,   1.3314166789178437745e2, 1.9715909503065514427e3,
                             1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
                             3.3430575583588128105e4, 2.5090809287301226727e3};
  static const double b[] = {1.0000000000000000000e0, 4.2313330701600911252e1, 6.8718700749205790830e2,
                             5.3941960214247511077e3, 2.1213794301586595867e4, 3.9307895800092710610e4,
                             2.8729085735721942674e4, 5.2264952788528545610e3};
  static const double c[] = {1.42343711074968357734,    4.63033784615654529590,   5.76949722146069140550,
                             3.64784832476320460504,    1.27045825245236838258,   2.41780725177450611770e-1,
                             2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static const double d[] = {1.0000000000000000000e0,   2.05319162663775882187,    1.67638483018380384940,
                             6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2,
                             5.47593808499534494600e-4, 1.05075007164441684324e-9};
  static const double e[] = {6.65790464350110377720,    5.46378491116411436990,    1.78482653991729133580,
                             2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                             2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static const double f[] = {1.0000000000000000000e0,   5.99832206555887937690e-1, 1.36929880922735805310e-1,
                             1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5,
                             1.42151175831644588870e-7, 2.04426310338993978564e-15};
  double r, tail = 0.5 - fabs(q);
  if (tail >= 0.075) {
    r = 0.180625 - invman_i_product(q, q);
    return q * (INVMAN_I_HORNER(a, r) / INVMAN_I_HORNER(b, r));
  }
  r = sqrt(-invman_i_log(tail));
  if (r <= 5) r = INVMAN_I_HORNER(c, r - 1.6) / INVMAN_I_HORNER(d, r - 1.6);
  else r = INVMAN_I_HORNER(e, r - 5) / INVMAN_I_HORNER(f, r - 5);
  return q < 0 ? -r : r;
}
#undef INVMAN_I_HORNER

double invman_rng_normal(invman_rng *rng) { /* 52 bits and a half: symmetric, never 0 or 1 */
  if (!rng) return 0;
  return invman_i_normal_quantile(((double)(invman_rng_next(rng) >> 12) + 0.5) * (1.0 / 4503599627370496.0) - 0.5);
}

/* Uniform in 0..n-1, without the bias of a remainder. */
static size_t invman_i_below(invman_rng *rng, size_t n) {
  uint64_t range = (uint64_t)n, limit = UINT64_MAX - UINT64_MAX % range, draw;
  do draw = invman_rng_next(rng);
  while (draw >= limit);
  return (size_t)(draw % range);
}

/* =============================================================================================== >>linalg
   Eight doubles at a time. A kernel is written once, as an inline function of the number L of doubles the
   processor takes in one instruction, and compiled once per instruction set; the widest that the processor has
   is chosen at run time. Lanes hold neurons, so that sums over neurons stay in registers and sums over points
   need no shuffling. */

/* In standard C, GCC takes no product of a vector and a number that it keeps in a wider register. */
#if defined(__GNUC__) && !defined(INVMAN_NO_SIMD) && (defined(__clang__) || !INVMAN_I_WIDER)
#define INVMAN_I_VECTORS 1
#define INVMAN_I_BASE    2 /* SSE2, NEON, or what the compiler makes of pairs */
#if defined(__clang__)
#define INVMAN_I_UNROLL     _Pragma("unroll")
#define INVMAN_I_UNROLL_FEW _Pragma("unroll 4")
#else
#define INVMAN_I_UNROLL     _Pragma("GCC unroll 8")
#define INVMAN_I_UNROLL_FEW _Pragma("GCC unroll 4")
#endif
typedef double invman_i_v8 __attribute__((vector_size(64), may_alias));
typedef double invman_i_v4 __attribute__((vector_size(32), may_alias));
typedef double invman_i_v2 __attribute__((vector_size(16), may_alias));
typedef long long invman_i_m8 __attribute__((vector_size(64), may_alias));
typedef long long invman_i_m4 __attribute__((vector_size(32), may_alias));
typedef long long invman_i_m2 __attribute__((vector_size(16), may_alias));
typedef float invman_i_f16 __attribute__((vector_size(64), may_alias)); /* the same in single precision */
typedef float invman_i_f8 __attribute__((vector_size(32), may_alias));
typedef float invman_i_f4 __attribute__((vector_size(16), may_alias));
typedef int invman_i_n16 __attribute__((vector_size(64), may_alias));
typedef int invman_i_n8 __attribute__((vector_size(32), may_alias));
typedef int invman_i_n4 __attribute__((vector_size(16), may_alias));
#else
#define INVMAN_I_VECTORS 0
#define INVMAN_I_BASE    1
#define INVMAN_I_UNROLL
#define INVMAN_I_UNROLL_FEW
#endif

enum { INVMAN_I_WIDTH = 8 }; /* neurons in a panel */

typedef union invman_i_lanes {
  double d[INVMAN_I_WIDTH];
  float f[2 * INVMAN_I_WIDTH];
#if INVMAN_I_VECTORS
  invman_i_f4 f4[4];
  invman_i_f8 f8[2];
  invman_i_f16 f16[1];
  invman_i_v2 v2[4];
  invman_i_v4 v4[2];
  invman_i_v8 v8[1];
#endif
} invman_i_lanes;

INVMAN_I_INLINE uint64_t invman_i_bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
INVMAN_I_INLINE double invman_i_double_of(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* LANEWISE(L, OP) does OP for each machine vector of a lanes object: piece is its member, M its mask type. */
#if INVMAN_I_VECTORS
#define INVMAN_I_LANEWISE(L, OP)          \
  do {                                    \
    if ((L) == 8) {                       \
      OP(v8[0], invman_i_v8, invman_i_m8) \
    } else if ((L) == 4) {                \
      OP(v4[0], invman_i_v4, invman_i_m4) \
      OP(v4[1], invman_i_v4, invman_i_m4) \
    } else {                              \
      OP(v2[0], invman_i_v2, invman_i_m2) \
      OP(v2[1], invman_i_v2, invman_i_m2) \
      OP(v2[2], invman_i_v2, invman_i_m2) \
      OP(v2[3], invman_i_v2, invman_i_m2) \
    }                                     \
  } while (0)
/* EITHERWISE: in single precision where L < 0, of as many bits as -L doubles have; T: the type of an element. */
#define INVMAN_I_EITHERWISE(L, OP)                  \
  do {                                              \
    if ((L) == 8) {                                 \
      OP(v8[0], invman_i_v8, invman_i_m8, double)   \
    } else if ((L) == 4) {                          \
      OP(v4[0], invman_i_v4, invman_i_m4, double)   \
      OP(v4[1], invman_i_v4, invman_i_m4, double)   \
    } else if ((L) > 0) {                           \
      OP(v2[0], invman_i_v2, invman_i_m2, double)   \
      OP(v2[1], invman_i_v2, invman_i_m2, double)   \
      OP(v2[2], invman_i_v2, invman_i_m2, double)   \
      OP(v2[3], invman_i_v2, invman_i_m2, double)   \
    } else if ((L) == -8) {                         \
      OP(f16[0], invman_i_f16, invman_i_n16, float) \
    } else if ((L) == -4) {                         \
      OP(f8[0], invman_i_f8, invman_i_n8, float)    \
      OP(f8[1], invman_i_f8, invman_i_n8, float)    \
    } else {                                        \
      OP(f4[0], invman_i_f4, invman_i_n4, float)    \
      OP(f4[1], invman_i_f4, invman_i_n4, float)    \
      OP(f4[2], invman_i_f4, invman_i_n4, float)    \
      OP(f4[3], invman_i_f4, invman_i_n4, float)    \
    }                                               \
  } while (0)
#define INVMAN_I_POSITIVE(condition, value, V, M) ((V)((M)((condition) > 0) & (M)(value)))
#define INVMAN_I_AS(T, x)                         (x) /* vectors have their type */
#define INVMAN_I_WHOLE(t, V, M)                   ((V)((M)(t) & ~((1LL << 41) - 1)))
#define INVMAN_I_LEFT_HALF(x, V, M)               ((V)((M)(x) & ~((1LL << 27) - 1)))
#define INVMAN_I_TWO_TO(k, V, M)                  ((V)((M)(k) << 11))
#define INVMAN_I_CHOICE(condition, yes, no, V, M) \
  ((V)(((M)((condition) > 0.0) & (M)(yes)) | (~(M)((condition) > 0.0) & (M)(no))))
#else
#define INVMAN_I_LANEWISE(L, OP)                                                                            \
  do {                                                                                                      \
    (void)(L);                                                                                              \
    OP(d[0], , ) OP(d[1], , ) OP(d[2], , ) OP(d[3], , ) OP(d[4], , ) OP(d[5], , ) OP(d[6], , ) OP(d[7], , ) \
  } while (0)
#define INVMAN_I_EITHERWISE(L, OP)                                                                             \
  do {                                                                                                         \
    if ((L) > 0) {                                                                                             \
      OP(d[0], , , double)                                                                                     \
      OP(d[1], , , double)                                                                                     \
      OP(d[2], , , double)                                                                                     \
      OP(d[3], , , double) OP(d[4], , , double) OP(d[5], , , double) OP(d[6], , , double) OP(d[7], , , double) \
    } else {                                                                                                   \
      int lane_;                                                                                               \
      for (lane_ = 0; lane_ < 16; lane_++) { OP(f[lane_], , , float) }                                         \
    }                                                                                                          \
  } while (0)
#define INVMAN_I_POSITIVE(condition, value, V, M) /* without a branch, which would be taken at random */ \
  invman_i_double_of(invman_i_bits_of((double)(value)) & (0 - (uint64_t)((condition) > 0)))
#define INVMAN_I_AS(T, x)                         ((T)(x))
#define INVMAN_I_WHOLE(t, V, M)                   invman_i_double_of(invman_i_bits_of(t) & ~((UINT64_C(1) << 41) - 1))
#define INVMAN_I_LEFT_HALF(x, V, M)               invman_i_left_half(x)
#define INVMAN_I_TWO_TO(k, V, M)                  invman_i_double_of(invman_i_bits_of(k) << 11)
#define INVMAN_I_CHOICE(condition, yes, no, V, M) ((condition) > 0.0 ? (yes) : (no))
#endif

INVMAN_I_INLINE void invman_i_set(invman_i_lanes *out, const invman_i_lanes *x, const int L) {
#define INVMAN_I_OP(piece, V, M, T) out->piece = x->piece;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* What follows takes either precision, with scalars in double. */
static const invman_i_lanes invman_i_zero = {{0, 0, 0, 0, 0, 0, 0, 0}};

/* acc += a x, a scalar */
INVMAN_I_INLINE void invman_i_add_scaled(invman_i_lanes *acc, double a, const invman_i_lanes *x, const int L) {
#define INVMAN_I_OP(piece, V, M, T) acc->piece += (T)a * x->piece;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* acc += a x, lane by lane */
INVMAN_I_INLINE void invman_i_add_product(invman_i_lanes *acc, const invman_i_lanes *a, const invman_i_lanes *x,
                                          const int L) {
#define INVMAN_I_OP(piece, V, M, T) acc->piece += a->piece * x->piece;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* out = a x, lane by lane */
INVMAN_I_INLINE void invman_i_multiply(invman_i_lanes *out, const invman_i_lanes *a, const invman_i_lanes *x,
                                       const int L) {
#define INVMAN_I_OP(piece, V, M, T) out->piece = a->piece * x->piece;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* out = a x, a scalar */
INVMAN_I_INLINE void invman_i_scale(invman_i_lanes *out, double a, const invman_i_lanes *x, const int L) {
#define INVMAN_I_OP(piece, V, M, T) out->piece = (T)a * x->piece;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* acc += x where z > 0 */
INVMAN_I_INLINE void invman_i_add_gated(invman_i_lanes *acc, const invman_i_lanes *z, const invman_i_lanes *x,
                                        const int L) {
#define INVMAN_I_OP(piece, V, M, T) acc->piece += INVMAN_I_AS(T, INVMAN_I_POSITIVE(z->piece, x->piece, V, M));
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* out = x where z > 0, else 0 */
INVMAN_I_INLINE void invman_i_gate(invman_i_lanes *out, const invman_i_lanes *z, const invman_i_lanes *x, const int L) {
#define INVMAN_I_OP(piece, V, M, T) out->piece = INVMAN_I_AS(T, INVMAN_I_POSITIVE(z->piece, x->piece, V, M));
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* out = the scalar a where z > 0, else 0 */
INVMAN_I_INLINE void invman_i_gate_scalar(invman_i_lanes *out, const invman_i_lanes *z, double a, const int L) {
#define INVMAN_I_OP(piece, V, M, T) \
  out->piece = INVMAN_I_AS(T, INVMAN_I_POSITIVE(z->piece, (T)a + invman_i_zero.piece, V, M));
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* root = sqrt(x) of normal x > 0, to an ulp or so. As vectors know no square root that is the same everywhere: half the
   exponent, negated, is 1/sqrt(x) to 3.5%, two steps of third order make 3e-12 of it and the last one, of second
   order and for the root itself, 1e-23 beside rounding. */
INVMAN_I_INLINE void invman_i_root(invman_i_lanes *root, const invman_i_lanes *x, const int L) {
#if INVMAN_I_VECTORS && !defined(INVMAN_PORTABLE)
  invman_i_lanes y, e;
#define INVMAN_I_OP(piece, V, M)                            \
  y.piece = (V)(0x5fe6eb50c7b537a9LL - ((M)x->piece >> 1)); \
  e.piece = 1.0 - x->piece * y.piece * y.piece;             \
  y.piece += y.piece * e.piece * (0.5 + 0.375 * e.piece);   \
  e.piece = 1.0 - x->piece * y.piece * y.piece;             \
  y.piece += y.piece * e.piece * (0.5 + 0.375 * e.piece);   \
  e.piece = x->piece * y.piece;                             \
  root->piece = e.piece + 0.5 * y.piece * (x->piece - e.piece * e.piece);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
#else
  int l;
  (void)L;
  for (l = 0; l < INVMAN_I_WIDTH; l++) root->d[l] = sqrt(x->d[l]);
#endif
}

/* eight doubles, aligned or not; by the pieces that are computed with, since compilers copy a union in others and then
   wait for the store */
INVMAN_I_INLINE invman_i_lanes invman_i_load(const double *x, const int L) {
  invman_i_lanes out;
#if INVMAN_I_VECTORS
#define INVMAN_I_OP(piece, V, M)                                                           \
  {                                                                                        \
    typedef V loose_ __attribute__((aligned(8), may_alias));                               \
    out.piece = *(const loose_ *)(x + ((const double *)(const void *)&out.piece - out.d)); \
  }
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
#else
  (void)L;
  memcpy(&out, x, sizeof out);
#endif
  return out;
}

INVMAN_I_INLINE void invman_i_store(double *x, const invman_i_lanes *lanes, const int L) {
#if INVMAN_I_VECTORS
#define INVMAN_I_OP(piece, V, M)                                                              \
  {                                                                                           \
    typedef V loose_ __attribute__((aligned(8), may_alias));                                  \
    *(loose_ *)(x + ((const double *)(const void *)&lanes->piece - lanes->d)) = lanes->piece; \
  }
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
#else
  (void)L;
  memcpy(x, lanes, sizeof *lanes);
#endif
}

INVMAN_I_INLINE double invman_i_sum_lanes(const invman_i_lanes *x) {
  return ((x->d[0] + x->d[4]) + (x->d[2] + x->d[6])) + ((x->d[1] + x->d[5]) + (x->d[3] + x->d[7]));
}

/* KERNEL(name) makes the task `name` out of the inline function name_body(which, arg, L). */
#if INVMAN_I_VECTORS && (defined(__x86_64__) || defined(__i386__))
#define INVMAN_I_KERNEL(name)                                                                                 \
  __attribute__((target("avx512f,avx512dq,avx512vl"))) static void name##_512(size_t i, void *arg) {          \
    name##_body(i, arg, 8);                                                                                   \
  }                                                                                                           \
  __attribute__((target("avx2,fma"))) static void name##_256(size_t i, void *arg) { name##_body(i, arg, 4); } \
  static void name##_base(size_t i, void *arg) { name##_body(i, arg, INVMAN_I_BASE); }                        \
  static invman_i_task name(const invman_context *ctx) {                                                      \
    int bits = invman_i_vector_bits(ctx);                                                                     \
    return bits >= 512 ? name##_512 : bits >= 256 ? name##_256 : name##_base;                                 \
  }
static int invman_i_vector_bits(const invman_context *ctx) {
  int bits =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
          ? 512
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 256
                                                                        : 128;
  return ctx && ctx->vector_bits > 0 && ctx->vector_bits < bits ? ctx->vector_bits : bits;
}
#else
static int invman_i_vector_bits(const invman_context *ctx) {
  (void)ctx;
  return 64 * INVMAN_I_BASE;
}
#define INVMAN_I_KERNEL(name)                                                          \
  static void name##_base(size_t i, void *arg) { name##_body(i, arg, INVMAN_I_BASE); } \
  static invman_i_task name(const invman_context *ctx) {                               \
    (void)ctx;                                                                         \
    return name##_base;                                                                \
  }
#endif

static double invman_i_inner(const double *a, const double *b, size_t d) {
  double sum[4] = {0, 0, 0, 0};
  size_t k, whole = d - d % 4;
  for (k = 0; k < whole; k += 4) {
    sum[0] += a[k] * b[k];
    sum[1] += a[k + 1] * b[k + 1];
    sum[2] += a[k + 2] * b[k + 2];
    sum[3] += a[k + 3] * b[k + 3];
  }
  for (k = whole; k < d; k++) sum[0] += a[k] * b[k];
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* ---- C += alpha A B: slices of A and B are packed into panels, so that a tile of C stays in registers while the
   panels stream past it from the caches (Goto and van de Geijn, 2008). With INVMAN_USE_CBLAS, BLAS does it. */

/* A view of a matrix, or of its transpose: one of the two strides is 1. */
typedef struct invman_i_matrix {
  const double *at;
  size_t rows, columns;
  size_t row, column; /* the strides from a row to the next one, and from a column */
} invman_i_matrix;

static invman_i_matrix invman_i_plain(const double *at, size_t rows, size_t columns, size_t stride) {
  invman_i_matrix m;
  m.at = at;
  m.rows = rows;
  m.columns = columns;
  m.row = stride;
  m.column = 1;
  return m;
}

static invman_i_matrix invman_i_transposed(invman_i_matrix m) {
  invman_i_matrix t;
  t.at = m.at;
  t.rows = m.columns;
  t.columns = m.rows;
  t.row = m.column;
  t.column = m.row;
  return t;
}

/* The register tile: its rows, and its columns in lanes; as many sums as there are registers. Arrays have room for that
   of the widest vectors. */
#define INVMAN_I_TILE_ROWS(L)  ((L) == 8 ? 8 : (L) == 4 ? 6 : 2)
#define INVMAN_I_TILE_LANES(L) ((L) == 8 ? 3 : 1)

typedef struct invman_i_gemm {
  double *a, *b; /* packed panels: (m/R, k, R) of A and (n/S, k, S) of B, R x S the size of a register tile */
  double alpha;
  invman_i_matrix A, B; /* (m,k), (k,n) */
  double *C;
  size_t stride;
  int upper;
} invman_i_gemm;

#ifdef INVMAN_USE_CBLAS

static invman_i_gemm invman_i_gemm_reserve(invman_i_scope *scope, size_t m, size_t n) {
  invman_i_gemm g;
  (void)scope;
  (void)m;
  (void)n;
  memset(&g, 0, sizeof g);
  return g;
}

/* C += alpha A B; upper: C and the product are symmetric, only C's upper triangle is wanted. */
static void invman_i_product_add(const invman_context *ctx, const invman_i_gemm *room, double alpha, invman_i_matrix A,
                                 invman_i_matrix B, double *C, size_t stride, int upper) {
  size_t m = A.rows, n = B.columns, k = A.columns;
  int a = A.column == 1, b = B.column == 1; /* as stored, or transposed */
  int lda = (int)(a ? invman_i_max(A.row, k) : invman_i_max(A.column, m));
  int ldb = (int)(b ? invman_i_max(B.row, n) : invman_i_max(B.column, k));
  size_t i, rows = upper ? 256 : m;
  (void)ctx;
  (void)room;
  if (m == 0 || n == 0 || k == 0) return;
  if (upper && A.at == B.at && A.row == B.column && A.column == B.row) {
    cblas_dsyrk(CblasRowMajor, CblasUpper, a ? CblasNoTrans : CblasTrans, (int)n, (int)k, alpha, A.at, lda, 1, C,
                (int)stride);
    return;
  }
  for (i = 0; i < m; i += rows) {
    size_t skip = upper ? i : 0;
    cblas_dgemm(CblasRowMajor, a ? CblasNoTrans : CblasTrans, b ? CblasNoTrans : CblasTrans,
                (int)invman_i_min(rows, m - i), (int)(n - skip), (int)k, alpha, A.at + i * A.row, lda,
                B.at + skip * B.column, ldb, 1, C + i * stride + skip, (int)stride);
  }
}

#else

enum { INVMAN_I_SLICE = 256, INVMAN_I_SIDE = 4096, INVMAN_I_PANELS_A = 8, INVMAN_I_PANELS_B = 8 };

/* The block of that shape at (row, column). */
static invman_i_matrix invman_i_block_of(invman_i_matrix m, size_t row, size_t column, size_t rows, size_t columns) {
  m.at += row * m.row + column * m.column;
  m.rows = rows;
  m.columns = columns;
  return m;
}

/* Memory for products of up to m rows and n columns. */
static invman_i_gemm invman_i_gemm_reserve(invman_i_scope *scope, size_t m, size_t n) {
  invman_i_gemm g;
  size_t spare = 4 * INVMAN_I_WIDTH; /* the last panel's padding */
  memset(&g, 0, sizeof g);
  g.a = invman_i_doubles(scope, (invman_i_min(m, INVMAN_I_SIDE) + spare) * INVMAN_I_SLICE);
  g.b = invman_i_doubles(scope, (invman_i_min(n, INVMAN_I_SIDE) + spare) * INVMAN_I_SLICE);
  return g;
}

/* M's panel q of `width` rows: element r of column l at out[l*width + r], zero beyond the end. */
INVMAN_I_INLINE void invman_i_pack_panel(invman_i_matrix M, double factor, size_t q, const size_t width, double *out) {
  const double *at = M.at + q * width * M.row;
  size_t rows = invman_i_min(width, M.rows - q * width), l = 0, r, c;
  if (rows == width && M.column == 1) { /* read along the rows */
    for (; l + INVMAN_I_WIDTH <= M.columns; l += INVMAN_I_WIDTH)
      for (r = 0; r < width; r++) {
        const double *from = at + r * M.row + l;
        double *to = out + l * width + r;
        INVMAN_I_UNROLL
        for (c = 0; c < INVMAN_I_WIDTH; c++) to[c * width] = factor * from[c];
      }
  }
  for (; l < M.columns; l++)
    for (r = 0; r < width; r++) out[l * width + r] = r < rows ? factor * at[r * M.row + l * M.column] : 0;
}

INVMAN_I_INLINE void invman_i_pack_panels_body(size_t q, void *arg, const int L) {
  const invman_i_gemm *g = (const invman_i_gemm *)arg;
  const size_t R = INVMAN_I_TILE_ROWS(L), S = (size_t)INVMAN_I_TILE_LANES(L) * INVMAN_I_WIDTH, k = g->A.columns;
  size_t panels_a = (g->A.rows + R - 1) / R;
  if (q < panels_a) {
    invman_i_pack_panel(g->A, g->alpha, q, R, g->a + q * k * R);
  } else {
    q -= panels_a;
    invman_i_pack_panel(invman_i_transposed(g->B), 1, q, S, g->b + q * k * S);
  }
}
INVMAN_I_KERNEL(invman_i_pack_panels)

/* C += a panel of A times a panel of B; of C, `rows` x `columns` are inside. */
INVMAN_I_INLINE void invman_i_register_tile(const double *a, const double *b, size_t k, double *C, size_t stride,
                                            size_t rows, size_t columns, const int L) {
  const int R = INVMAN_I_TILE_ROWS(L), J = INVMAN_I_TILE_LANES(L), S = J * INVMAN_I_WIDTH;
  invman_i_lanes sum[INVMAN_I_TILE_ROWS(8)][INVMAN_I_TILE_LANES(8)];
  double edge[INVMAN_I_TILE_ROWS(8) * INVMAN_I_TILE_LANES(8) * INVMAN_I_WIDTH], *to = C;
  size_t across = stride, l, r, c;
  int i, j;
  INVMAN_I_UNROLL
  for (i = 0; i < R; i++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_set(&sum[i][j], &invman_i_zero, L);
  }
  INVMAN_I_UNROLL_FEW
  for (l = 0; l < k; l++, a += R, b += S) {
    INVMAN_I_UNROLL
    for (i = 0; i < R; i++) {
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) invman_i_add_scaled(&sum[i][j], a[i], (const invman_i_lanes *)(const void *)b + j, L);
    }
  }

  if (rows < (size_t)R || columns < (size_t)S) { /* not all of it is C's */
    memset(edge, 0, sizeof edge);
    to = edge;
    across = (size_t)S;
  }
  INVMAN_I_UNROLL
  for (i = 0; i < R; i++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) {
      double *at = to + (size_t)i * across + (size_t)j * INVMAN_I_WIDTH;
      invman_i_lanes out = invman_i_load(at, L);
      invman_i_add_scaled(&out, 1.0, &sum[i][j], L);
      invman_i_store(at, &out, L);
    }
  }
  if (to == edge)
    for (r = 0; r < invman_i_min((size_t)R, rows); r++)
      for (c = 0; c < invman_i_min((size_t)S, columns); c++) C[r * stride + c] += edge[r * across + c];
}

/* Task: a block of C of 8 x 8 register tiles. */
INVMAN_I_INLINE void invman_i_multiply_panels_body(size_t task, void *arg, const int L) {
  const invman_i_gemm *g = (const invman_i_gemm *)arg;
  const size_t R = INVMAN_I_TILE_ROWS(L), S = (size_t)INVMAN_I_TILE_LANES(L) * INVMAN_I_WIDTH;
  size_t m = g->A.rows, n = g->B.columns, k = g->A.columns;
  size_t rows = R * INVMAN_I_PANELS_A, columns = S * INVMAN_I_PANELS_B, across = (n + columns - 1) / columns;
  size_t top = task / across * rows, left = task % across * columns, i, j;
  size_t bottom = invman_i_min(top + rows, m), right = invman_i_min(left + columns, n);
  for (i = top; i < bottom; i += R)
    for (j = left; j < right; j += S)
      if (!g->upper || j + S > i)
        invman_i_register_tile(g->a + i * k, g->b + j * k, k, g->C + i * g->stride + j, g->stride, m - i, n - j, L);
}
INVMAN_I_KERNEL(invman_i_multiply_panels)

/* C += alpha A B; upper: C and the product are symmetric, only C's upper triangle is wanted. */
static void invman_i_product_add(const invman_context *ctx, const invman_i_gemm *room, double alpha, invman_i_matrix A,
                                 invman_i_matrix B, double *C, size_t stride, int upper) {
  int bits = invman_i_vector_bits(ctx), L = bits >= 512 ? 8 : bits >= 256 ? 4 : 2;
  size_t R = INVMAN_I_TILE_ROWS(L), S = (size_t)INVMAN_I_TILE_LANES(L) * INVMAN_I_WIDTH, i, j, l;
  for (i = 0; i < A.rows; i += INVMAN_I_SIDE)
    for (j = upper ? i : 0; j < B.columns; j += INVMAN_I_SIDE)
      for (l = 0; l < A.columns; l += INVMAN_I_SLICE) {
        invman_i_gemm g = *room;
        size_t m = invman_i_min(A.rows - i, INVMAN_I_SIDE), n = invman_i_min(B.columns - j, INVMAN_I_SIDE);
        size_t k = invman_i_min(A.columns - l, INVMAN_I_SLICE);
        size_t down = R * INVMAN_I_PANELS_A, across = S * INVMAN_I_PANELS_B; /* a task's part of C */
        g.alpha = alpha;
        g.A = invman_i_block_of(A, i, l, m, k);
        g.B = invman_i_block_of(B, l, j, k, n);
        g.C = C + i * stride + j;
        g.stride = stride;
        g.upper = upper && i == j;
        invman_i_parallel(ctx, (m + R - 1) / R + (n + S - 1) / S, invman_i_pack_panels(ctx), &g,
                          (double)(m + n) * (double)k);
        invman_i_parallel(ctx, (m + down - 1) / down * ((n + across - 1) / across), invman_i_multiply_panels(ctx), &g,
                          (double)m * (double)n * (double)k);
      }
}

#endif

/* ---- y = A x, of symmetric A (n,n) only the upper triangle is read, once: row i gives y_i its dot product with x and
   the rest of y x_i times itself. Groups of rows of equal area write their own y, which are added up in order. */

enum { INVMAN_I_SYMV_GROUPS = 16, INVMAN_I_SYMV_ROWS = 4 };

typedef struct invman_i_symv {
  const double *A;
  size_t n, stride;
  const double *x;
  double *partial; /* (groups, n) */
} invman_i_symv;

/* Where group g begins, a multiple of the rows taken at a time: above it lie g parts of the triangle's area. */
static size_t invman_i_symv_row(size_t n, size_t g) {
  double left = 1 - (double)g / (double)INVMAN_I_SYMV_GROUPS;
  size_t row = (size_t)((double)n * (1 - sqrt(left > 0 ? left : 0)));
  return g >= INVMAN_I_SYMV_GROUPS ? n : row / INVMAN_I_SYMV_ROWS * INVMAN_I_SYMV_ROWS;
}

INVMAN_I_INLINE void invman_i_symv_group_body(size_t group, void *arg, const int L) {
  const invman_i_symv *s = (const invman_i_symv *)arg;
  size_t n = s->n, first = invman_i_symv_row(n, group), last = invman_i_symv_row(n, group + 1), i, j, rows;
  const double *x = s->x;
  double *y = s->partial + group * n;
  memset(y + first, 0, (n - first) * sizeof(double));
  for (i = first; i < last; i += rows) {
    const double *a[INVMAN_I_SYMV_ROWS];
    double sum[INVMAN_I_SYMV_ROWS] = {0, 0, 0, 0};
    size_t k, l;
    rows = invman_i_min(INVMAN_I_SYMV_ROWS, last - i);
    for (k = 0; k < rows; k++) { /* the triangle on the diagonal */
      a[k] = s->A + (i + k) * s->stride;
      sum[k] += a[k][i + k] * x[i + k];
      for (l = k + 1; l < rows; l++) {
        sum[k] += a[k][i + l] * x[i + l];
        y[i + l] += a[k][i + l] * x[i + k];
      }
    }
    j = i + rows;
    if (rows == INVMAN_I_SYMV_ROWS) {
      invman_i_lanes acc[INVMAN_I_SYMV_ROWS];
      INVMAN_I_UNROLL
      for (k = 0; k < INVMAN_I_SYMV_ROWS; k++) invman_i_set(&acc[k], &invman_i_zero, L);
      for (; j + INVMAN_I_WIDTH <= n; j += INVMAN_I_WIDTH) {
        invman_i_lanes xs = invman_i_load(x + j, L), ys = invman_i_load(y + j, L);
        INVMAN_I_UNROLL
        for (k = 0; k < INVMAN_I_SYMV_ROWS; k++) {
          invman_i_lanes as = invman_i_load(a[k] + j, L);
          invman_i_add_product(&acc[k], &as, &xs, L);
          invman_i_add_scaled(&ys, x[i + k], &as, L);
        }
        invman_i_store(y + j, &ys, L);
      }
      for (k = 0; k < INVMAN_I_SYMV_ROWS; k++) sum[k] += invman_i_sum_lanes(&acc[k]);
    }
    for (; j < n; j++)
      for (k = 0; k < rows; k++) {
        sum[k] += a[k][j] * x[j];
        y[j] += a[k][j] * x[i + k];
      }
    for (k = 0; k < rows; k++) y[i + k] += sum[k];
  }
}
INVMAN_I_KERNEL(invman_i_symv_group)

/* partial: scratch of (INVMAN_I_SYMV_GROUPS, n) */
static void invman_i_symmetric_times(const invman_context *ctx, const double *A, size_t n, size_t stride,
                                     const double *x, double *partial, double *y) {
  invman_i_symv s;
  size_t g, j;
  s.A = A;
  s.n = n;
  s.stride = stride;
  s.x = x;
  s.partial = partial;
  invman_i_parallel(ctx, INVMAN_I_SYMV_GROUPS, invman_i_symv_group(ctx), &s, (double)n * (double)n);
  memcpy(y, partial, n * sizeof(double));
  for (g = 1; g < INVMAN_I_SYMV_GROUPS; g++)
    for (j = invman_i_symv_row(n, g); j < n; j++) y[j] += partial[g * n + j];
}

/* ---- numbers of twofold precision: high + low, |low| <= ulp(high)/2, some 32 decimal digits (Dekker, 1971) */

typedef struct invman_i_wide {
  double high, low;
} invman_i_wide;

#if INVMAN_I_WIDER
#define INVMAN_I_ROUNDED volatile /* registers hold more than doubles: rounded by being stored */
#else
#define INVMAN_I_ROUNDED
#endif

static invman_i_wide invman_i_widen(double x) {
  invman_i_wide y;
  y.high = x;
  y.low = 0;
  return y;
}

static invman_i_wide invman_i_two_sum(double a, double b) { /* a + b, exactly (Knuth, 1969) */
  INVMAN_I_ROUNDED double sum = a + b, of_b = sum - a, of_a = sum - of_b, left_b = b - of_b, left_a = a - of_a;
  invman_i_wide y;
  y.high = sum;
  y.low = left_a + left_b;
  return y;
}

static double invman_i_left_half(double x) { /* of its digits, 26 of 53 bits */
  return invman_i_double_of(invman_i_bits_of(x) & ~((UINT64_C(1) << 27) - 1));
}

/* a b to some 106 bits. Compilers may fuse a product with a sum that it enters: the products of halves are exact, so
   that it makes no difference. */
static invman_i_wide invman_i_two_product(double a, double b) {
  double a1 = invman_i_left_half(a), a2 = a - a1, b1 = invman_i_left_half(b), b2 = b - b1;
  invman_i_wide middle = invman_i_two_sum(a1 * b2, a2 * b1), y = invman_i_two_sum(a1 * b1, middle.high);
  return invman_i_two_sum(y.high, y.low + (middle.low + a2 * b2));
}

static invman_i_wide invman_i_wide_add(invman_i_wide a, invman_i_wide b) {
  invman_i_wide high = invman_i_two_sum(a.high, b.high), low = invman_i_two_sum(a.low, b.low);
  high = invman_i_two_sum(high.high, high.low + low.high);
  return invman_i_two_sum(high.high, high.low + low.low);
}

static invman_i_wide invman_i_wide_negative(invman_i_wide a) {
  a.high = -a.high;
  a.low = -a.low;
  return a;
}

static invman_i_wide invman_i_wide_subtract(invman_i_wide a, invman_i_wide b) {
  return invman_i_wide_add(a, invman_i_wide_negative(b));
}

static invman_i_wide invman_i_wide_plus(invman_i_wide a, double b) {
  invman_i_wide y = invman_i_two_sum(a.high, b);
  return invman_i_two_sum(y.high, y.low + a.low);
}

static invman_i_wide invman_i_wide_multiply(invman_i_wide a, invman_i_wide b) {
  invman_i_wide y = invman_i_two_product(a.high, b.high);
  return invman_i_two_sum(y.high, y.low + (a.high * b.low + a.low * b.high));
}

/* sum + a b; what is added up so is normalised by one invman_i_wide_add in the end */
static invman_i_wide invman_i_wide_add_product(invman_i_wide sum, invman_i_wide a, invman_i_wide b) {
  invman_i_wide product = invman_i_two_product(a.high, b.high), y = invman_i_two_sum(sum.high, product.high);
  y.low += sum.low + (product.low + (a.high * b.low + a.low * b.high));
  return y;
}

static invman_i_wide invman_i_wide_divide(invman_i_wide a, invman_i_wide b) { /* three digits of base 2^53 */
  invman_i_wide first = invman_i_widen(a.high / b.high), second, third;
  if (!invman_i_isfinite(first.high)) return first;
  a = invman_i_wide_subtract(a, invman_i_wide_multiply(b, first));
  second = invman_i_widen(a.high / b.high);
  a = invman_i_wide_subtract(a, invman_i_wide_multiply(b, second));
  third = invman_i_widen(a.high / b.high);
  return invman_i_wide_add(invman_i_wide_add(first, second), third);
}

static invman_i_wide invman_i_wide_root(invman_i_wide a) { /* a > 0: Newton's step from the root of a double */
  invman_i_wide root = invman_i_widen(sqrt(a.high)), rest;
  rest = invman_i_wide_subtract(a, invman_i_wide_multiply(root, root));
  return invman_i_wide_add(root, invman_i_widen(rest.high / (2 * root.high)));
}

static int invman_i_wide_less(invman_i_wide a, invman_i_wide b) {
  return a.high < b.high || (a.high == b.high && a.low < b.low);
}

/* sum + low += (f + f_low) x, lane by lane, as invman_i_two_product and two sums; f_left: the left half of f */
INVMAN_I_INLINE void invman_i_add_twofold(invman_i_lanes *sum, invman_i_lanes *low, double f, double f_left,
                                          double f_low, const invman_i_lanes *x, const int L) {
  const double f_right = f - f_left;
  invman_i_lanes left, right, middle, of_b, error, next;
#define INVMAN_I_OP(piece, V, M)                                                                            \
  left.piece = INVMAN_I_LEFT_HALF(x->piece, V, M);                                                          \
  right.piece = x->piece - left.piece;                                                                      \
  middle.piece = f_left * right.piece + f_right * left.piece;                                               \
  of_b.piece = middle.piece - f_left * right.piece;                                                         \
  error.piece = (f_left * right.piece - (middle.piece - of_b.piece)) + (f_right * left.piece - of_b.piece); \
  next.piece = sum->piece + f_left * left.piece;                                                            \
  of_b.piece = next.piece - sum->piece;                                                                     \
  error.piece += (sum->piece - (next.piece - of_b.piece)) + (f_left * left.piece - of_b.piece);             \
  sum->piece = next.piece + middle.piece;                                                                   \
  of_b.piece = sum->piece - next.piece;                                                                     \
  error.piece += (next.piece - (sum->piece - of_b.piece)) + (middle.piece - of_b.piece);                    \
  low->piece += error.piece + (f_right * right.piece + f_low * x->piece);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* ================================================================================================ >>eigen
   A = Q T Q', T tridiagonal, by Householder reflections in panels (Dongarra, Sorensen and Hammarling, 1989);
   T = Z' D Z by divide and conquer (Cuppen, 1981; Gu and Eisenstat, 1995); the rows of Z Q' are the eigenvectors.
   Vectors are rows all along, so that everything runs along contiguous memory. */

INVMAN_I_COLD

enum {
  INVMAN_I_PANEL = 32,     /* rows reduced before the rest of the matrix is updated */
  INVMAN_I_WY = 128,       /* reflections applied to the eigenvectors at a time */
  INVMAN_I_COLUMNS = 1024, /* columns per task */
  INVMAN_I_QL_TRIALS = 60  /* per eigenvalue; two or three are the rule */
};

/* ---- A few long rows Q (rows, n) against a vector, in chunks of columns. */

enum { INVMAN_I_ROWS_AT_ONCE = 4 };

typedef struct invman_i_rows {
  invman_i_matrix Q; /* (rows, n) */
  const double *x;
  double *partial; /* (chunks, rows) */
  const double *h;
  double factor;
  double *y;
} invman_i_rows;

INVMAN_I_INLINE void invman_i_rows_dots_body(size_t chunk, void *arg, const int L) {
  const invman_i_rows *s = (const invman_i_rows *)arg;
  size_t first = chunk * INVMAN_I_COLUMNS, last = invman_i_min(first + INVMAN_I_COLUMNS, s->Q.columns), r, j;
  double *out = s->partial + chunk * s->Q.rows;
  int k;
  for (r = 0; r < s->Q.rows; r += INVMAN_I_ROWS_AT_ONCE) {
    const double *q[INVMAN_I_ROWS_AT_ONCE];
    invman_i_lanes acc[INVMAN_I_ROWS_AT_ONCE];
    INVMAN_I_UNROLL
    for (k = 0; k < INVMAN_I_ROWS_AT_ONCE; k++) {
      q[k] = s->Q.at + invman_i_min(r + (size_t)k, s->Q.rows - 1) * s->Q.row;
      invman_i_set(&acc[k], &invman_i_zero, L);
    }
    for (j = first; j + INVMAN_I_WIDTH <= last; j += INVMAN_I_WIDTH) {
      invman_i_lanes xs = invman_i_load(s->x + j, L);
      INVMAN_I_UNROLL
      for (k = 0; k < INVMAN_I_ROWS_AT_ONCE; k++) {
        invman_i_lanes qs = invman_i_load(q[k] + j, L);
        invman_i_add_product(&acc[k], &qs, &xs, L);
      }
    }
    for (k = 0; k < INVMAN_I_ROWS_AT_ONCE && r + (size_t)k < s->Q.rows; k++) {
      double sum = invman_i_sum_lanes(&acc[k]);
      size_t tail;
      for (tail = j; tail < last; tail++) sum += q[k][tail] * s->x[tail];
      out[r + (size_t)k] = sum;
    }
  }
}
INVMAN_I_KERNEL(invman_i_rows_dots)

INVMAN_I_INLINE void invman_i_rows_sum_body(size_t chunk, void *arg, const int L) {
  const invman_i_rows *s = (const invman_i_rows *)arg;
  size_t first = chunk * INVMAN_I_COLUMNS, last = invman_i_min(first + INVMAN_I_COLUMNS, s->Q.columns), r, j;
  int k;
  for (r = 0; r < s->Q.rows; r += INVMAN_I_ROWS_AT_ONCE) {
    const double *q[INVMAN_I_ROWS_AT_ONCE];
    double h[INVMAN_I_ROWS_AT_ONCE];
    INVMAN_I_UNROLL
    for (k = 0; k < INVMAN_I_ROWS_AT_ONCE; k++) {
      size_t row = r + (size_t)k;
      q[k] = s->Q.at + invman_i_min(row, s->Q.rows - 1) * s->Q.row;
      h[k] = row < s->Q.rows ? s->factor * s->h[row] : 0;
    }
    for (j = first; j + INVMAN_I_WIDTH <= last; j += INVMAN_I_WIDTH) {
      invman_i_lanes ys = invman_i_load(s->y + j, L);
      INVMAN_I_UNROLL
      for (k = 0; k < INVMAN_I_ROWS_AT_ONCE; k++) {
        invman_i_lanes qs = invman_i_load(q[k] + j, L);
        invman_i_add_scaled(&ys, h[k], &qs, L);
      }
      invman_i_store(s->y + j, &ys, L);
    }
    for (; j < last; j++) s->y[j] += (h[0] * q[0][j] + h[1] * q[1][j]) + (h[2] * q[2][j] + h[3] * q[3][j]);
  }
}
INVMAN_I_KERNEL(invman_i_rows_sum)

static size_t invman_i_chunks(size_t n) { return (n + INVMAN_I_COLUMNS - 1) / INVMAN_I_COLUMNS; }

/* h = Q x; partial: scratch of (chunks, rows) */
static void invman_i_rows_times(const invman_context *ctx, invman_i_matrix Q, const double *x, double *partial,
                                double *h) {
  invman_i_rows s;
  size_t chunk, r;
  memset(&s, 0, sizeof s);
  s.Q = Q;
  s.x = x;
  s.partial = partial;
  if (Q.rows == 0) return;
  invman_i_parallel(ctx, invman_i_chunks(Q.columns), invman_i_rows_dots(ctx), &s, (double)Q.rows * (double)Q.columns);
  memcpy(h, partial, Q.rows * sizeof *h);
  for (chunk = 1; chunk < invman_i_chunks(Q.columns); chunk++)
    for (r = 0; r < Q.rows; r++) h[r] += partial[chunk * Q.rows + r];
}

/* y += factor h Q */
static void invman_i_rows_add(const invman_context *ctx, invman_i_matrix Q, double factor, const double *h, double *y) {
  invman_i_rows s;
  memset(&s, 0, sizeof s);
  s.Q = Q;
  s.h = h;
  s.factor = factor;
  s.y = y;
  if (Q.rows == 0) return;
  invman_i_parallel(ctx, invman_i_chunks(Q.columns), invman_i_rows_sum(ctx), &s, (double)Q.rows * (double)Q.columns);
}

/* ---- Scaling by powers of two, so that squares neither overflow nor underflow where it matters. */

/* 2^exponent as a product of two doubles: it may be beyond the range of one. */
static void invman_i_power_of_two(int exponent, double factor[2]) {
  factor[0] = ldexp(1, exponent / 2);
  factor[1] = ldexp(1, exponent - exponent / 2);
}

/* The power of two that brings `largest` into [1/2, 1). */
static int invman_i_scaling(double largest) {
  int exponent = 0;
  if (largest > 0) frexp(largest, &exponent);
  return -exponent;
}

/* The same as one factor, to about 1 where 2^exponent is so large or small that processors may take it for 0. */
static double invman_i_unit_of(double largest) {
  int exponent = invman_i_scaling(largest);
  return ldexp(1, exponent > 1000 ? 1000 : exponent < -1000 ? -1000 : exponent);
}

/* R = the upper triangle of A times 2^exponent, its largest entry in [1/2, 1). */
static invman_status invman_i_copy_scaled(const invman_context *ctx, const double *A, size_t n, double *R,
                                          size_t stride, int *exponent) {
  double largest = 0, factor[2];
  size_t i, j;
  for (i = 0; i < n; i++)
    for (j = i; j < n; j++) {
      double size = fabs(A[i * n + j]);
      if (!(size <= DBL_MAX))
        return invman_i_fail(ctx, INVMAN_E_NONFINITE, "the matrix is not finite", "element", i * n + j);
      if (size > largest) largest = size;
    }
  *exponent = invman_i_scaling(largest);
  invman_i_power_of_two(*exponent, factor);
  for (i = 0; i < n; i++)
    for (j = i; j < n; j++) R[i * stride + j] = A[i * n + j] * factor[0] * factor[1];
  return INVMAN_OK;
}

/* Doubles from one row to the next: rows begin on cache lines, an odd number of lines apart, lest many rows share one
   set of the cache. */
static size_t invman_i_padded(size_t n) { return ((n + 7) / 8 | 1) * 8; }

/* ---- Reduction to tridiagonal form, from the first row down, by the upper triangle. Row j leaves d_j, e_j, and right
   of its diagonal the reflection H_j = 1 - tau v v', v_0 = 1, that clears it. The rest of the matrix, B, becomes
   B - v w' - w v'; in a panel these updates are only noted down, and B v is corrected for them. */

typedef struct invman_i_reduction {
  size_t n, stride;
  double *R;           /* (n, stride) */
  double *d, *e, *tau; /* (n): T, and the reflections */
  double *X, *Y;       /* (2 panel, stride): rows v_0, w_0, v_1, w_1, ..; and w_0, v_0, w_1, v_1, .. */
  double *h;           /* (2 panel) */
  double *partial;     /* scratch for products with vectors */
  invman_i_gemm room;
} invman_i_reduction;

static void invman_i_reduction_take(invman_i_scope *scope, size_t n, invman_i_reduction *t) {
  const size_t pairs = 2 * INVMAN_I_PANEL;
  size_t stride = invman_i_padded(n), scratch = invman_i_max(INVMAN_I_SYMV_GROUPS * n, pairs * invman_i_chunks(n));
  t->n = n;
  t->stride = stride;
  t->R = invman_i_doubles(scope, invman_i_mul(n, stride));
  t->d = invman_i_doubles(scope, n);
  t->e = invman_i_doubles(scope, n);
  t->tau = invman_i_doubles(scope, n);
  t->X = invman_i_doubles(scope, 2 * pairs * stride);
  t->Y = t->X + pairs * stride;
  t->h = invman_i_doubles(scope, pairs);
  t->partial = invman_i_doubles(scope, scratch);
  t->room = invman_i_gemm_reserve(scope, n, n);
}

/* x (m) becomes v with v_0 = 1; (1 - tau v v') x = e (1, 0, ..). Returns e. What is below 1e-140 of a matrix of norm
   one is nothing. */
static double invman_i_reflection(double *x, size_t m, double *tau) {
  double head = x[0], rest = invman_i_inner(x + 1, x + 1, m - 1), e = head, scale = 0;
  size_t i;
  *tau = 0;
  if (rest > 1e-280) {
    e = head > 0 ? -sqrt(head * head + rest) : sqrt(head * head + rest);
    *tau = (e - head) / e;
    scale = 1 / (head - e);
  }
  x[0] = 1;
  for (i = 1; i < m; i++) x[i] *= scale;
  return e;
}

/* w = tau (B v - ..) - (tau^2/2)(v'Bv) v, B the matrix right of and below row j, corrected for `pairs` rows of X */
static void invman_i_reduction_vector(const invman_context *ctx, invman_i_reduction *t, size_t j, size_t pairs,
                                      const double *v, double *w) {
  size_t m = t->n - j - 1, i;
  double tau = t->tau[j], half;
  invman_i_symmetric_times(ctx, t->R + (j + 1) * (t->stride + 1), m, t->stride, v, t->partial, w);
  invman_i_rows_times(ctx, invman_i_plain(t->Y + j + 1, pairs, m, t->stride), v, t->partial, t->h);
  invman_i_rows_add(ctx, invman_i_plain(t->X + j + 1, pairs, m, t->stride), -1, t->h, w);
  half = 0.5 * tau * invman_i_inner(w, v, m);
  for (i = 0; i < m; i++) w[i] = tau * (w[i] - half * v[i]);
}

static void invman_i_reduce_row(const invman_context *ctx, invman_i_reduction *t, size_t j, size_t pairs) {
  size_t n = t->n, stride = t->stride, m = n - j - 1, r;
  double *row = t->R + j * stride, *v = t->X + pairs * stride + j + 1, *w = v + stride;
  double *again = t->Y + pairs * stride + j + 1;
  for (r = 0; r < pairs; r++) t->h[r] = t->Y[r * stride + j];
  invman_i_rows_add(ctx, invman_i_plain(t->X + j, pairs, n - j, stride), -1, t->h, row + j);
  t->d[j] = row[j];
  t->e[j] = invman_i_reflection(row + j + 1, m, &t->tau[j]);
  memcpy(v, row + j + 1, m * sizeof *v);
  if (t->tau[j] != 0) invman_i_reduction_vector(ctx, t, j, pairs, v, w);
  else memset(w, 0, m * sizeof *w);
  memcpy(again, w, m * sizeof *w);
  memcpy(again + stride, v, m * sizeof *v);
}

/* R -> d, e, tau and, right of the diagonal, the reflections' vectors; left of it and on it R is zero in the end. */
static void invman_i_reduce(const invman_context *ctx, invman_i_reduction *t) {
  size_t n = t->n, stride = t->stride, first, j;
  for (first = 0; first + 1 < n; first = j) {
    size_t last = invman_i_min(first + INVMAN_I_PANEL, n - 1), pairs = 0;
    for (j = first; j < last; j++, pairs += 2) invman_i_reduce_row(ctx, t, j, pairs);
    invman_i_product_add(ctx, &t->room, -1, invman_i_transposed(invman_i_plain(t->X + j, pairs, n - j, stride)),
                         invman_i_plain(t->Y + j, pairs, n - j, stride), t->R + j * (stride + 1), stride, 1);
  }
  t->d[n - 1] = t->R[(n - 1) * (stride + 1)];
  for (j = 0; j < n; j++) memset(t->R + j * stride, 0, (j + 1) * sizeof(double));
}

/* T of 1 - V' T V = H_first H_first+1 .., V the block's vectors as rows (Schreiber and Van Loan, 1989): T upper
   triangular, by columns, from the vectors' products G. */
static void invman_i_compact(const double *G, const double *tau, size_t count, double *T) {
  size_t i, l, q;
  memset(T, 0, count * count * sizeof *T);
  for (i = 0; i < count; i++) {
    for (l = 0; l < i; l++) {
      double sum = 0;
      for (q = l; q < i; q++) sum += T[l * count + q] * G[q * count + i];
      T[l * count + i] = -tau[i] * sum;
    }
    T[i * count + i] = tau[i];
  }
}

/* E (n, stride) <- E Q', Q' = .. H_1 H_0: E - ((E V') T') V per block. M (n, wy), U (wy, stride), S (2, wy, wy):
   scratch, wy = min(INVMAN_I_WY, n) */
static void invman_i_back_transform(const invman_context *ctx, const invman_i_reduction *t, double *E, double *M,
                                    double *U, double *S) {
  size_t n = t->n, stride = t->stride, block;
  for (block = (n + INVMAN_I_WY - 1) / INVMAN_I_WY; block-- > 0;) {
    size_t first = block * INVMAN_I_WY, count = invman_i_min(INVMAN_I_WY, n - first), m = n - first;
    invman_i_matrix V = invman_i_plain(t->R + first * (stride + 1), count, m, stride);
    double *G = S, *T = S + invman_i_min(INVMAN_I_WY, n) * invman_i_min(INVMAN_I_WY, n);
    memset(G, 0, count * count * sizeof *G);
    memset(U, 0, count * stride * sizeof *U);
    memset(M, 0, n * count * sizeof *M);
    invman_i_product_add(ctx, &t->room, 1, V, invman_i_transposed(V), G, count, 0);
    invman_i_compact(G, t->tau + first, count, T);
    invman_i_product_add(ctx, &t->room, 1, invman_i_transposed(invman_i_plain(T, count, count, count)), V, U, stride,
                         0);
    invman_i_product_add(ctx, &t->room, 1, invman_i_plain(E + first, n, m, stride), invman_i_transposed(V), M, count,
                         0);
    invman_i_product_add(ctx, &t->room, -1, invman_i_plain(M, n, count, count), invman_i_plain(U, count, m, stride),
                         E + first, stride, 0);
  }
}

/* ---- Implicit QL with Wilkinson's shift (Bowdler, Martin, Reinsch and Wilkinson, 1968). */

/* Rows a, b (n) <- c a - s b, s a + c b */
static void invman_i_rotate(double *a, double *b, size_t n, double c, double s) {
  size_t i;
  for (i = 0; i < n; i++) {
    double x = a[i], y = b[i];
    a[i] = c * x - s * y;
    b[i] = s * x + c * y;
  }
}

/* One sweep on rows l..m of T, from the bottom up; the rotations go to the rows of Z. */
static void invman_i_ql_sweep(double *d, double *e, size_t l, size_t m, double *Z, size_t columns, size_t stride) {
  double g = (d[l + 1] - d[l]) / (2 * e[l]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;
  size_t i;
  g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
  for (i = m; i-- > l;) {
    double f = s * e[i], b = c * e[i];
    r = f * f + g * g;
    if (r < 1e-280) { /* nothing, in a matrix of norm one: T falls apart here */
      e[i + 1] = 0;
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    e[i + 1] = r = sqrt(r);
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    if (Z) invman_i_rotate(Z + i * stride, Z + (i + 1) * stride, columns, c, s);
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

/* Eigenvalues of T = (d, e), into d, e (n) destroyed; Z <- eigenvectors' rows times Z, or NULL. What is below `tiny`
   off the diagonal counts as zero. False where it does not converge. */
static int invman_i_ql(double *d, double *e, size_t n, double tiny, double *Z, size_t columns, size_t stride) {
  size_t l, m, trials = 0;
  e[n - 1] = 0;
  for (l = 0; l < n; l++)
    for (;;) {
      for (m = l; m + 1 < n && fabs(e[m]) > tiny;) m++;
      if (m == l) break;
      if (trials++ >= INVMAN_I_QL_TRIALS * n) return 0;
      invman_i_ql_sweep(d, e, l, m, Z, columns, stride);
    }
  return 1;
}

/* The largest row sum of T: between its norm and twice that */
static double invman_i_tridiagonal_norm(const double *d, const double *e, size_t n) {
  double norm = 0;
  size_t i;
  for (i = 0; i < n; i++) norm = fmax(norm, fabs(d[i]) + (i > 0 ? fabs(e[i - 1]) : 0) + (i + 1 < n ? fabs(e[i]) : 0));
  return norm;
}

/* ---- Divide and conquer. T falls into two halves when e between them is moved into a term of rank one, rho u u'
   (Cuppen). With the halves solved, T is D + rho z z' in their eigenvectors; its eigenvalues interlace D's. */

enum { INVMAN_I_LEAF = 32, INVMAN_I_SECULAR_ROWS = 512, INVMAN_I_SECULAR_TASK = 16, INVMAN_I_SECULAR_TRIALS = 80 };

enum { INVMAN_I_TOP = 1, INVMAN_I_BOTTOM = 2 }; /* which half's columns of a vector are not zero: */
enum { INVMAN_I_PARTS = 3 };                    /* those of the top alone, of both, of the bottom alone */

typedef struct invman_i_conquest {
  size_t n, stride;
  double *d, *e;
  double *E; /* (n,n): the vectors' rows */
  double *W; /* (n, stride): a merge's old vectors */
  double *S; /* (secular rows, stride) */
  double tiny;
  const invman_i_gemm *room;
  size_t *order;       /* (n) per block: its rows by ascending eigenvalue */
  size_t *kept, *gone; /* (n) rows of a merge that take part in it, and those deflated, ascending */
  unsigned char *half; /* (n) */
  double *z;           /* (n) */
  /* The secular equation of a merge, 1/rho + sum_j z_j^2/(d_j - x) = 0: */
  size_t k;
  double inverse;          /* 1/rho */
  double *pole, *weight;   /* (k) d_j ascending, z_j; lanes beyond the end are readable */
  double *offset;          /* (k) root i is pole[origin[i]] + offset[i], */
  size_t *origin;          /* so that all its distances from poles keep their relative accuracy */
  size_t *group;           /* (k) poles by half: top, both, bottom */
  double *gpole, *gweight; /* (k) in that order; gweight of Gu and Eisenstat */
  size_t first;            /* root of S's first row */
} invman_i_conquest;

static void invman_i_conquest_take(invman_i_scope *scope, const invman_i_reduction *t, invman_i_conquest *c) {
  size_t n = t->n, lanes = n + INVMAN_I_WIDTH;
  memset(c, 0, sizeof *c);
  c->n = n;
  c->stride = t->stride;
  c->d = t->d;
  c->e = t->e;
  c->room = &t->room;
  c->W = invman_i_doubles(scope, invman_i_mul(n, t->stride));
  c->S = invman_i_doubles(scope, invman_i_min(INVMAN_I_SECULAR_ROWS, n) * t->stride);
  c->order = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->kept = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->gone = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->origin = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->group = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->half = (unsigned char *)invman_i_take(scope, n, 1);
  c->z = invman_i_doubles(scope, n);
  c->offset = invman_i_doubles(scope, n);
  c->pole = invman_i_doubles(scope, lanes);
  c->weight = invman_i_doubles(scope, lanes);
  c->gpole = invman_i_doubles(scope, lanes);
  c->gweight = invman_i_doubles(scope, lanes);
}

typedef struct invman_i_secular {
  double psi, dpsi; /* the poles left of x, and the derivative */
  double phi, dphi; /* those right of it */
} invman_i_secular;

/* value = sum z^2/(pole - x), slope its derivative, x = origin + offset, of the poles first .. last-1 */
INVMAN_I_INLINE void invman_i_secular_sum(const invman_i_conquest *c, size_t first, size_t last, double origin,
                                          double offset, double *value, double *slope, const int L) {
  invman_i_lanes sum = invman_i_zero, square = invman_i_zero;
  size_t j;
  for (j = first; j + INVMAN_I_WIDTH <= last; j += INVMAN_I_WIDTH) {
    invman_i_lanes p = invman_i_load(c->pole + j, L), z = invman_i_load(c->weight + j, L);
#define INVMAN_I_OP(piece, V, M)                     \
  p.piece = z.piece / ((p.piece - origin) - offset); \
  sum.piece += z.piece * p.piece;                    \
  square.piece += p.piece * p.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  }
  *value = invman_i_sum_lanes(&sum);
  *slope = invman_i_sum_lanes(&square);
  for (; j < last; j++) {
    double t = c->weight[j] / ((c->pole[j] - origin) - offset);
    *value += c->weight[j] * t;
    *slope += t * t;
  }
}

/* The root of C + A/(a - y) + B/(b - y) between its poles, from the quadratic C y^2 - p y + q = 0 */
static double invman_i_rational_root(double C, double p, double q) {
  double root = sqrt(fabs(p * p - 4 * q * C));
  return p <= 0 ? (p - root) / (2 * C) : 2 * q / (p + root);
}

/* Where to begin: the nearer pole of root i as its origin, told by the sign in the middle; there the equation with all
   poles but the two next to the root frozen is solved. Returns the offset; low, high: an interval that holds it. */
INVMAN_I_INLINE double invman_i_secular_start(invman_i_conquest *c, size_t i, double *low, double *high, const int L) {
  int last = i + 1 == c->k;
  double left = c->pole[i], zz = c->weight[i] * c->weight[i], next = 0, width, value, rest, dummy, guess;
  size_t j;
  if (last) {
    for (width = 0, j = 0; j < c->k; j++) width += c->weight[j] * c->weight[j];
    width *= (1 + 1e-14) / c->inverse; /* no root is beyond pole + rho |z|^2 */
  } else {
    width = c->pole[i + 1] - left;
    next = c->weight[i + 1] * c->weight[i + 1];
  }
  invman_i_secular_sum(c, 0, i + 1, left, width / 2, &value, &dummy, L);
  invman_i_secular_sum(c, i + 1, c->k, left, width / 2, &rest, &dummy, L);
  value += c->inverse + rest;
  rest = value + 2 * (zz - next) / width; /* without the two poles next to the root */
  c->origin[i] = i;
  *low = 0;
  *high = width / 2;
  if (last) {
    if (value < 0) {
      *low = width / 2;
      *high = width;
    }
    guess = zz / rest;
  } else if (value >= 0) {
    guess = invman_i_rational_root(rest, rest * width + zz + next, zz * width);
  } else {
    c->origin[i] = i + 1;
    *low = -width / 2;
    *high = 0;
    guess = invman_i_rational_root(rest, -rest * width + zz + next, -next * width);
  }
  return guess > *low && guess < *high ? guess : 0.5 * (*low + *high);
}

/* Root i by the "middle way" (Li, 1993): psi and phi each replaced by a pole where it has one and a constant, of the
   same value and slope. Steps out of the interval that holds the root become bisections. */
INVMAN_I_INLINE void invman_i_secular_root(invman_i_conquest *c, size_t i, const int L) {
  double low, high, x = invman_i_secular_start(c, i, &low, &high, L), origin = c->pole[c->origin[i]];
  int last = i + 1 == c->k, trial;
  for (trial = 0; trial < INVMAN_I_SECULAR_TRIALS; trial++) {
    invman_i_secular s;
    double f, slope, next, a = (c->pole[i] - origin) - x;
    invman_i_secular_sum(c, 0, i + 1, origin, x, &s.psi, &s.dpsi, L);
    invman_i_secular_sum(c, i + 1, c->k, origin, x, &s.phi, &s.dphi, L);
    f = c->inverse + s.psi + s.phi;
    slope = s.dpsi + s.dphi;
    if (fabs(f) <= 4 * DBL_EPSILON * (c->inverse + (s.phi - s.psi) + fabs(x) * slope)) break;
    if (f < 0) low = x;
    else high = x;
    if (last) {
      next = x + a + a * a * s.dpsi / (f - a * s.dpsi);
    } else {
      double b = (c->pole[i + 1] - origin) - x;
      next = x + invman_i_rational_root(f - a * s.dpsi - b * s.dphi, (a + b) * f - a * b * slope, a * b * f);
    }
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (next == x || next <= low || next >= high) break;
    x = next;
  }
  c->offset[i] = x;
}

INVMAN_I_INLINE void invman_i_secular_roots_body(size_t task, void *arg, const int L) {
  invman_i_conquest *c = (invman_i_conquest *)arg;
  size_t i, end = invman_i_min((task + 1) * INVMAN_I_SECULAR_TASK, c->k);
  for (i = task * INVMAN_I_SECULAR_TASK; i < end; i++) invman_i_secular_root(c, i, L);
}
INVMAN_I_KERNEL(invman_i_secular_roots)

/* The z of which the computed roots are the exact ones: z_j^2 = prod_i (x_i - d_j) / prod_i!=j (d_i - d_j), up to a
   common factor. Vectors made of it are orthogonal, however close the roots (Gu and Eisenstat). Task: eight j. */
INVMAN_I_INLINE void invman_i_secular_weights_body(size_t task, void *arg, const int L) {
  invman_i_conquest *c = (invman_i_conquest *)arg;
  size_t first = task * INVMAN_I_WIDTH, end = invman_i_min(first + INVMAN_I_WIDTH, c->k), i, j;
  invman_i_lanes d = invman_i_load(c->pole + first, L), product;
  int below;
  for (j = 0; j < INVMAN_I_WIDTH; j++) product.d[j] = 1;
  for (below = 1; below >= 0; below--) /* than the eight; then those above */
    for (i = below ? 0 : end; i < (below ? first : c->k); i++) {
      double origin = c->pole[c->origin[i]], offset = c->offset[i], pole = c->pole[i];
#define INVMAN_I_OP(piece, V, M) product.piece *= ((d.piece - origin) - offset) / (d.piece - pole);
      INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    }
  for (j = first; j < end; j++) {
    double w = product.d[j - first];
    for (i = first; i < end; i++) {
      double distance = (c->pole[j] - c->pole[c->origin[i]]) - c->offset[i];
      w *= i == j ? distance : distance / (c->pole[j] - c->pole[i]);
    }
    w = sqrt(fabs(w));
    c->z[j] = c->weight[j] < 0 ? -w : w;
  }
}
INVMAN_I_KERNEL(invman_i_secular_weights)

/* Rows of S: the eigenvectors z_j/(d_j - x_i) of D + rho z z', of norm one, poles in groups */
INVMAN_I_INLINE void invman_i_secular_vectors_body(size_t task, void *arg, const int L) {
  invman_i_conquest *c = (invman_i_conquest *)arg;
  size_t first = task * INVMAN_I_SECULAR_TASK, r, g, k = c->k;
  size_t end = invman_i_min(invman_i_min(first + INVMAN_I_SECULAR_TASK, INVMAN_I_SECULAR_ROWS), k - c->first);
  for (r = first; r < end; r++) {
    double *row = c->S + r * c->stride, offset = c->offset[c->first + r], origin = c->pole[c->origin[c->first + r]];
    double sum = 0;
    invman_i_lanes square = invman_i_zero;
    for (g = 0; g + INVMAN_I_WIDTH <= k; g += INVMAN_I_WIDTH) {
      invman_i_lanes p = invman_i_load(c->gpole + g, L), z = invman_i_load(c->gweight + g, L);
#define INVMAN_I_OP(piece, V, M)                     \
  p.piece = z.piece / ((p.piece - origin) - offset); \
  square.piece += p.piece * p.piece;
      INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
      invman_i_store(row + g, &p, L);
    }
    for (; g < k; g++) {
      row[g] = c->gweight[g] / ((c->gpole[g] - origin) - offset);
      sum += row[g] * row[g];
    }
    sum = 1 / sqrt(sum + invman_i_sum_lanes(&square));
    for (g = 0; g < k; g++) row[g] *= sum;
  }
}
INVMAN_I_KERNEL(invman_i_secular_vectors)

/* Two ascending lists of rows become one. */
static void invman_i_merge_orders(const double *d, const size_t *a, size_t na, const size_t *b, size_t nb,
                                  size_t *out) {
  size_t i = 0, j = 0;
  while (i < na || j < nb) *out++ = j == nb || (i < na && d[a[i]] <= d[b[j]]) ? a[i++] : b[j++];
}

/* Adds a row to an ascending list; most belong at its end. */
static void invman_i_insert(const double *d, size_t *list, size_t count, size_t row) {
  for (; count > 0 && d[list[count - 1]] > d[row]; count--) list[count] = list[count - 1];
  list[count] = row;
}

/* Rows a, b with almost the same eigenvalue are turned so that z_a becomes 0, if that leaves no more than `tiny` off
   the diagonal. */
static int invman_i_deflate_pair(invman_i_conquest *c, size_t lo, size_t hi, size_t a, size_t b) {
  double za = c->z[a], zb = c->z[b], norm = sqrt(za * za + zb * zb), cosine = zb / norm, sine = za / norm;
  double da = c->d[a], db = c->d[b];
  if (fabs((db - da) * cosine * sine) > c->tiny) return 0;
  c->z[a] = 0;
  c->z[b] = norm;
  c->d[a] = da * cosine * cosine + db * sine * sine;
  c->d[b] = da * sine * sine + db * cosine * cosine;
  c->half[a] = c->half[b] = c->half[a] | c->half[b];
  invman_i_rotate(c->E + a * c->n + lo, c->E + b * c->n + lo, hi - lo, cosine, sine);
  return 1;
}

/* Sorts the rows lo .. hi-1 into those that the merge moves and those it leaves as they are, up to `tiny`. */
static void invman_i_deflate(invman_i_conquest *c, size_t lo, size_t hi, double rho, const size_t *order,
                             size_t *gone) {
  size_t i, before = hi;
  c->k = *gone = 0;
  for (i = 0; i < hi - lo; i++) {
    size_t row = order[i];
    if (rho * fabs(c->z[row]) <= c->tiny) {
      invman_i_insert(c->d, c->gone, (*gone)++, row);
      continue;
    }
    if (before < hi) {
      if (invman_i_deflate_pair(c, lo, hi, before, row)) invman_i_insert(c->d, c->gone, (*gone)++, before);
      else c->kept[c->k++] = before;
    }
    before = row;
  }
  if (before < hi) c->kept[c->k++] = before;
}

/* z of a merge at `mid`: what u, ones at mid-1 and at mid (there with e's sign), is in the halves' vectors; norm one */
static void invman_i_merge_z(invman_i_conquest *c, size_t lo, size_t mid, size_t hi) {
  const double half = 0.70710678118654752;
  size_t r;
  for (r = lo; r < hi; r++) {
    c->half[r] = r < mid ? INVMAN_I_TOP : INVMAN_I_BOTTOM;
    c->z[r] = r < mid ? half * c->E[r * c->n + mid - 1] : half * (c->e[mid - 1] < 0 ? -1 : 1) * c->E[r * c->n + mid];
  }
}

/* The old vectors to W, by groups and without their zeros; the deflated ones behind them. count: of groups 1, 3, 2 */
static void invman_i_merge_copy(invman_i_conquest *c, size_t lo, size_t mid, size_t hi, size_t gone,
                                size_t count[INVMAN_I_PARTS]) {
  static const unsigned char halves[INVMAN_I_PARTS] = {INVMAN_I_TOP, INVMAN_I_TOP | INVMAN_I_BOTTOM, INVMAN_I_BOTTOM};
  size_t i, g = 0, part, from, to;
  for (part = 0; part < INVMAN_I_PARTS; part++) {
    from = halves[part] & INVMAN_I_TOP ? lo : mid;
    to = halves[part] & INVMAN_I_BOTTOM ? hi : mid;
    count[part] = g;
    for (i = 0; i < c->k; i++) {
      if (c->half[c->kept[i]] != halves[part]) continue;
      memcpy(c->W + g * c->stride + (from - lo), c->E + c->kept[i] * c->n + from, (to - from) * sizeof(double));
      c->group[g++] = i;
    }
    count[part] = g - count[part];
  }
  for (i = 0; i < gone; i++)
    memcpy(c->W + (c->k + i) * c->stride, c->E + c->gone[i] * c->n + lo, (hi - lo) * sizeof(double));
}

/* E = S W, the new vectors, in rows of blocks; each half of the columns from the groups that are not zero there. */
static void invman_i_merge_vectors(const invman_context *ctx, invman_i_conquest *c, size_t lo, size_t mid, size_t hi,
                                   const size_t count[INVMAN_I_PARTS]) {
  size_t k = c->k, left = count[0] + count[1], right = count[1] + count[2], rows;
  for (c->first = 0; c->first < k; c->first += rows) {
    double *to = c->E + (lo + c->first) * c->n;
    rows = invman_i_min(INVMAN_I_SECULAR_ROWS, k - c->first);
    invman_i_parallel(ctx, (rows + INVMAN_I_SECULAR_TASK - 1) / INVMAN_I_SECULAR_TASK, invman_i_secular_vectors(ctx), c,
                      4 * (double)rows * (double)k);
    invman_i_product_add(ctx, c->room, 1, invman_i_plain(c->S, rows, left, c->stride),
                         invman_i_plain(c->W, left, mid - lo, c->stride), to + lo, c->n, 0);
    invman_i_product_add(ctx, c->room, 1, invman_i_plain(c->S + count[0], rows, right, c->stride),
                         invman_i_plain(c->W + count[0] * c->stride + (mid - lo), right, hi - mid, c->stride), to + mid,
                         c->n, 0);
  }
}

/* The secular equation: roots, and the weights that go with them, also by groups. */
static void invman_i_merge_roots(const invman_context *ctx, invman_i_conquest *c, double rho) {
  size_t i, k = c->k;
  double work = (double)k * (double)k;
  c->inverse = 1 / rho;
  for (i = 0; i < k; i++) {
    c->pole[i] = c->d[c->kept[i]];
    c->weight[i] = c->z[c->kept[i]];
  }
  invman_i_parallel(ctx, (k + INVMAN_I_SECULAR_TASK - 1) / INVMAN_I_SECULAR_TASK, invman_i_secular_roots(ctx), c,
                    20 * work);
  invman_i_parallel(ctx, (k + INVMAN_I_WIDTH - 1) / INVMAN_I_WIDTH, invman_i_secular_weights(ctx), c, 4 * work);
  for (i = 0; i < k; i++) {
    c->gpole[i] = c->pole[c->group[i]];
    c->gweight[i] = c->z[c->group[i]];
  }
}

/* The eigenvalues and vectors of rows lo .. hi-1 from those of their halves. */
static void invman_i_merge(const invman_context *ctx, invman_i_conquest *c, size_t lo, size_t mid, size_t hi) {
  double rho = 2 * fabs(c->e[mid - 1]);
  size_t count[INVMAN_I_PARTS], gone, i;
  invman_i_merge_z(c, lo, mid, hi);
  invman_i_merge_orders(c->d, c->order + lo, mid - lo, c->order + mid, hi - mid, c->group);
  invman_i_deflate(c, lo, hi, rho, c->group, &gone);
  if (c->k == 0) {
    memcpy(c->order + lo, c->group, (hi - lo) * sizeof *c->order);
    return;
  }
  invman_i_merge_copy(c, lo, mid, hi, gone, count);
  invman_i_merge_roots(ctx, c, rho);
  for (i = 0; i < gone; i++) c->z[i] = c->d[c->gone[i]];
  for (i = 0; i < hi - lo; i++) {
    double *row = c->E + (lo + i) * c->n + lo;
    c->d[lo + i] = i < c->k ? c->pole[c->origin[i]] + c->offset[i] : c->z[i - c->k];
    c->kept[i] = lo + i;
    if (i < c->k) memset(row, 0, (hi - lo) * sizeof *row);
    else memcpy(row, c->W + i * c->stride, (hi - lo) * sizeof *row);
  }
  invman_i_merge_vectors(ctx, c, lo, mid, hi, count);
  invman_i_merge_orders(c->d, c->kept, c->k, c->kept + c->k, gone, c->order + lo);
}

typedef struct invman_i_leaves {
  invman_i_conquest *c;
  size_t count;
  unsigned char *failed;
} invman_i_leaves;

static size_t invman_i_part(size_t n, size_t parts, size_t q) { return n / parts * q + n % parts * q / parts; }

static void invman_i_leaf(size_t q, void *arg) {
  const invman_i_leaves *s = (const invman_i_leaves *)arg;
  invman_i_conquest *c = s->c;
  size_t lo = invman_i_part(c->n, s->count, q), hi = invman_i_part(c->n, s->count, q + 1), i;
  for (i = lo; i < hi; i++) c->E[i * c->n + i] = 1;
  memcpy(c->W + lo, c->e + lo, (hi - lo) * sizeof(double));
  s->failed[q] = !invman_i_ql(c->d + lo, c->W + lo, hi - lo, c->tiny / 4, c->E + lo * (c->n + 1), hi - lo, c->n);
  for (i = lo; i < hi; i++) invman_i_insert(c->d, c->order + lo, i - lo, i);
}

/* T -> eigenvalues d, and the rows of E; blocks of up to `leaf` rows by QL. E is zero at the start. */
static int invman_i_conquer(const invman_context *ctx, invman_i_conquest *c, size_t leaf) {
  invman_i_leaves leaves;
  size_t n = c->n, count = 1, width, q;
  int good = 1;
  while (n / count > leaf) count *= 2;
  leaves.c = c;
  leaves.count = count;
  leaves.failed = c->half;
  c->tiny = 4 * DBL_EPSILON * invman_i_tridiagonal_norm(c->d, c->e, n);
  for (q = 1; q < count; q++) { /* the terms of rank one are taken out */
    size_t mid = invman_i_part(n, count, q);
    c->d[mid - 1] -= fabs(c->e[mid - 1]);
    c->d[mid] -= fabs(c->e[mid - 1]);
  }
  invman_i_parallel(ctx, count, invman_i_leaf, &leaves, 6 * (double)n * (double)(n / count) * (double)(n / count));
  for (q = 0; q < count; q++) good &= !leaves.failed[q];
  for (width = 1; good && width < count; width *= 2)
    for (q = 0; q < count; q += 2 * width)
      invman_i_merge(ctx, c, invman_i_part(n, count, q), invman_i_part(n, count, q + width),
                     invman_i_part(n, count, q + 2 * width));
  return good;
}

/* ---- The solvers. */

/* v <- v or -v: its entry of largest size, the first of equals, becomes positive. */
static void invman_i_fix_sign(double *v, size_t n) {
  size_t i, at = 0;
  for (i = 1; i < n; i++)
    if (fabs(v[i]) > fabs(v[at])) at = i;
  if (n > 0 && v[at] < 0)
    for (i = 0; i < n; i++) v[i] = -v[i];
}

static invman_status invman_i_eigh(const invman_context *ctx, size_t n, double *A, double *lambda, size_t leaf) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_reduction t;
  invman_i_conquest c;
  size_t i, wy = invman_i_min(INVMAN_I_WY, n);
  double *triangles;
  int exponent;
  if (n == 0) return INVMAN_OK;
  if (!A || !lambda) return invman_i_bad(ctx, "eigh: A or lambda is NULL");
  invman_i_reduction_take(&scope, n, &t);
  invman_i_conquest_take(&scope, &t, &c);
  triangles = invman_i_doubles(&scope, 2 * wy * wy);
  if (scope.status < 0) return invman_i_close(&scope);
  scope.status = invman_i_copy_scaled(ctx, A, n, t.R, t.stride, &exponent);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_reduce(ctx, &t);
  memset(A, 0, n * n * sizeof *A);
  c.E = A;
  if (!invman_i_conquer(ctx, &c, leaf)) scope.status = INVMAN_NOT_CONVERGED;
  for (i = 0; i < n; i++) {
    size_t row = c.order[n - 1 - i];
    lambda[i] = ldexp(c.d[row], -exponent);
    memcpy(c.W + i * c.stride, A + row * n, n * sizeof *A);
  }
  invman_i_back_transform(ctx, &t, c.W, c.S, t.X, triangles);
  for (i = 0; i < n; i++) {
    invman_i_fix_sign(c.W + i * c.stride, n);
    memcpy(A + i * n, c.W + i * c.stride, n * sizeof *A);
  }
  if (invman_i_check_result(ctx, lambda, n, "eigh: an eigenvalue is not finite") < 0) {
    scope.status = INVMAN_E_NONFINITE;
    memset(A, 0, n * n * sizeof *A);
  }
  return invman_i_close(&scope);
}

invman_status invman_eigh(const invman_context *ctx, size_t n, double *A, double *lambda) {
  return invman_i_eigh(ctx, n, A, lambda, INVMAN_I_LEAF);
}

invman_status invman_eigvalsh(const invman_context *ctx, size_t n, double *A, double *lambda) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_reduction t;
  double tiny;
  size_t i, j;
  int exponent;
  if (n == 0) return INVMAN_OK;
  if (!A || !lambda) return invman_i_bad(ctx, "eigvalsh: A or lambda is NULL");
  invman_i_reduction_take(&scope, n, &t);
  if (scope.status < 0) return invman_i_close(&scope);
  scope.status = invman_i_copy_scaled(ctx, A, n, t.R, t.stride, &exponent);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_reduce(ctx, &t);
  tiny = DBL_EPSILON * invman_i_tridiagonal_norm(t.d, t.e, n);
  if (!invman_i_ql(t.d, t.e, n, tiny, NULL, 0, 0)) scope.status = INVMAN_NOT_CONVERGED;
  for (i = 0; i < n; i++) { /* sorted by insertion */
    double value = ldexp(t.d[i], -exponent);
    for (j = i; j > 0 && lambda[j - 1] < value; j--) lambda[j] = lambda[j - 1];
    lambda[j] = value;
  }
  if (invman_i_check_result(ctx, lambda, n, "eigvalsh: an eigenvalue is not finite") < 0)
    scope.status = INVMAN_E_NONFINITE;
  return invman_i_close(&scope);
}

/* ---- The largest eigenvalues, by products with A alone: Lanczos with thick restarts (Wu and Simon, 2000). An
   orthonormal basis grows by A times its last vector, orthogonalised against all; the eigenpairs of H = Q A Q' (Ritz
   pairs) approach A's. When the basis is full, the best Ritz vectors begin the next one, and the last residual, which
   they all share, follows them. H is measured, not assumed: that costs nothing beside the full orthogonalisation.

   One start vector sees one vector of a multiple eigenvalue. So, once k pairs have converged, a search for what they
   miss begins with a random vector q_0, orthogonal to them. It ends when it has displaced one of them, or when nothing
   can be left. Let u be the eigenvector of a missed eigenvalue lambda. All parts <q_j, u> in the basis that grows from
   q_0 are multiples of <q_0, u>, known ones: lambda <q_j, u> = <A q_j, u>, and A q_j = sum_i H_ij q_i + beta q_j+1. The
   squares of the parts add up to 1 at most, thus <q_0, u>^2 <= 1 / (sum of the squared multiples), the better the
   larger lambda is. They grow as Chebyshev's polynomials outside the spectrum do; once they say <q_0, u>^2 <= 1e-12/n,
   nothing is left but for a share of 0.8e-6 of the vectors q_0 (van Dorsselaer, Hochstenbach and van der Vorst, SIAM J.
   Matrix Anal. 22, 2000, after Kuczynski and Wozniakowski, ibid. 13, 1992). This holds whenever the search stops. */

enum { INVMAN_I_TOP_EXTRA = 30, INVMAN_I_TOP_CHECK = 5, INVMAN_I_TOP_RESTARTS = 300 };

/* An eigenvector that may have been missed */
typedef struct invman_i_missed {
  double least;  /* its eigenvalue, or less */
  double *parts; /* (most+1) its multiples in the basis and in the residual */
  int excluded;
} invman_i_missed;

typedef struct invman_i_lanczos {
  const invman_context *ctx;
  size_t n, k, most; /* vectors that the basis may hold */
  size_t size;       /* that it holds */
  invman_apply apply;
  void *arg;
  double *Q, *spare;      /* (most+1, n): the basis, then the residual of norm one; and the next basis */
  double *H, *Y, *theta;  /* (most, most) upper triangle; Ritz vectors' rows (size, size) and values */
  double *h, *partial;    /* scratch */
  double beta;            /* norm of the residual */
  double scale[2], image; /* powers of two that scale A; the largest |A q| so far */
  int exponent;
  int searching;             /* for what the k pairs miss */
  double *found;             /* (k) the values when that began, */
  size_t locked;             /* and how many pairs q_0 is orthogonal to */
  invman_i_missed missed[2]; /* just above lambda_k; far enough above to tell it from more copies of lambda_k */
  size_t searches;           /* how many began */
  invman_rng rng;
  invman_i_gemm room;
} invman_i_lanczos;

static invman_status invman_i_lanczos_take(invman_i_scope *scope, invman_i_lanczos *s) {
  size_t rows = s->most + 1;
  s->Q = invman_i_doubles(scope, invman_i_mul(rows, s->n));
  s->spare = invman_i_doubles(scope, invman_i_mul(rows, s->n));
  s->H = invman_i_doubles(scope, invman_i_mul(s->most, s->most));
  s->Y = invman_i_doubles(scope, invman_i_mul(s->most, s->most));
  s->theta = invman_i_doubles(scope, s->most);
  s->found = invman_i_doubles(scope, s->k);
  s->missed[0].parts = invman_i_doubles(scope, rows);
  s->missed[1].parts = invman_i_doubles(scope, rows);
  s->h = invman_i_doubles(scope, rows);
  s->partial = invman_i_doubles(scope, invman_i_mul(rows, invman_i_chunks(s->n)));
  s->room = invman_i_gemm_reserve(scope, s->most, s->n);
  return scope->status;
}

/* Row `row` becomes orthogonal to those before it, by classical Gram-Schmidt: twice, and once more where the second
   pass still took away half. coefficient (row), with stride: what was taken away, added; or NULL. Returns the norm. */
static double invman_i_orthogonalise(invman_i_lanczos *s, size_t row, double *coefficient, size_t stride) {
  double *w = s->Q + row * s->n, norm = sqrt(invman_i_inner(w, w, s->n)), before;
  invman_i_matrix Q = invman_i_plain(s->Q, row, s->n, s->n);
  size_t i, pass;
  for (pass = 0; pass < 4; pass++) {
    invman_i_rows_times(s->ctx, Q, w, s->partial, s->h);
    invman_i_rows_add(s->ctx, Q, -1, s->h, w);
    for (i = 0; coefficient && i < row; i++) coefficient[i * stride] += s->h[i];
    before = norm;
    norm = sqrt(invman_i_inner(w, w, s->n));
    if (pass > 0 && norm > 0.5 * before) break;
  }
  return norm;
}

static void invman_i_lanczos_divide(invman_i_lanczos *s, size_t row, double norm) {
  double *w = s->Q + row * s->n;
  size_t i;
  for (i = 0; i < s->n; i++) w[i] /= norm;
}

/* Row `row` becomes random, orthogonal to those before it, without a part in A Q = Q' H: no residual is left. */
static void invman_i_lanczos_fresh(invman_i_lanczos *s, size_t row) {
  double *w = s->Q + row * s->n, norm;
  size_t i;
  do {
    for (i = 0; i < s->n; i++) w[i] = invman_rng_normal(&s->rng);
    norm = invman_i_orthogonalise(s, row, NULL, 0);
  } while (norm <= 1e-3);
  invman_i_lanczos_divide(s, row, norm);
}

/* The parts of what is missed in the new residual, from the last vector's image */
static void invman_i_missed_step(invman_i_missed *m, const invman_i_lanczos *s) {
  size_t last = s->size - 1, i;
  double next = m->least * m->parts[last], square = 0;
  if (m->excluded) return;
  for (i = 0; i <= last; i++) {
    next -= s->H[i * s->most + last] * m->parts[i];
    square += m->parts[i] * m->parts[i];
  }
  if (s->beta > 0) {
    m->parts[last + 1] = next /= s->beta;
    square += next * next;
  }
  m->excluded = s->beta == 0 || square >= 1e12 * (double)s->n;
}

/* The last vector's image is orthogonalised: a column of H, and the new residual. */
static invman_status invman_i_lanczos_step(invman_i_lanczos *s) {
  size_t last = s->size, i;
  double *q = s->Q + last * s->n, *w = q + s->n, *column = s->H + last, largest = 0, norm;
  for (i = 0; i <= last; i++) column[i * s->most] = 0;
  s->apply(q, w, s->n, s->arg);
  for (i = 0; i < s->n; i++) {
    if (!invman_i_isfinite(w[i]))
      return invman_i_fail(s->ctx, INVMAN_E_NONFINITE, "eigh_top: the product is not finite", "element", i);
    largest = fmax(largest, fabs(w[i]));
  }
  if (s->image == 0) {
    s->exponent = invman_i_scaling(largest);
    invman_i_power_of_two(s->exponent, s->scale);
  }
  for (i = 0; i < s->n; i++) w[i] = w[i] * s->scale[0] * s->scale[1];
  norm = sqrt(invman_i_inner(w, w, s->n));
  s->image = fmax(s->image, norm);
  s->size = last + 1;
  s->beta = invman_i_orthogonalise(s, last + 1, column, s->most);
  if (s->beta <= 4 * DBL_EPSILON * s->image) s->beta = 0; /* rounding alone: the space is invariant */
  for (i = 0; s->searching && i < 2; i++) invman_i_missed_step(&s->missed[i], s);
  if (s->beta > 0) invman_i_lanczos_divide(s, last + 1, s->beta);
  else if (last + 1 < s->most) invman_i_lanczos_fresh(s, last + 1);
  return INVMAN_OK;
}

/* Ritz values, descending, and their vectors in the basis */
static invman_status invman_i_lanczos_ritz(invman_i_lanczos *s) {
  size_t i, size = s->size;
  for (i = 0; i < size; i++) memcpy(s->Y + i * size, s->H + i * s->most, size * sizeof(double));
  return invman_eigh(s->ctx, size, s->Y, s->theta);
}

static double invman_i_lanczos_residual(const invman_i_lanczos *s, size_t i) {
  return s->beta * fabs(s->Y[i * s->size + s->size - 1]);
}

/* The parts in the next basis: a new q_0 is orthogonal to the Ritz vectors, else the parts turn as the vectors do. */
static void invman_i_missed_restart(invman_i_missed *m, const invman_i_lanczos *s, size_t keep, int fresh) {
  size_t i;
  for (i = 0; i < keep; i++) s->h[i] = fresh ? 0 : invman_i_inner(s->Y + i * s->size, m->parts, s->size);
  s->h[keep] = fresh ? 1 : m->parts[s->size];
  memcpy(m->parts, s->h, (keep + 1) * sizeof *s->h);
}

/* The basis becomes the first `keep` Ritz vectors and, behind them, the residual or a random vector. */
static void invman_i_lanczos_restart(invman_i_lanczos *s, size_t keep, int fresh) {
  double *swap = s->spare;
  size_t i;
  memset(s->spare, 0, keep * s->n * sizeof(double));
  invman_i_product_add(s->ctx, &s->room, 1, invman_i_plain(s->Y, keep, s->size, s->size),
                       invman_i_plain(s->Q, s->size, s->n, s->n), s->spare, s->n, 0);
  memcpy(s->spare + keep * s->n, s->Q + s->size * s->n, s->n * sizeof(double));
  s->spare = s->Q;
  s->Q = swap;
  memset(s->H, 0, s->most * s->most * sizeof(double));
  for (i = 0; i < keep; i++) s->H[i * s->most + i] = s->theta[i];
  for (i = 0; s->searching && i < 2; i++) invman_i_missed_restart(&s->missed[i], s, keep, fresh);
  s->size = keep;
  if (fresh || s->beta == 0) invman_i_lanczos_fresh(s, keep);
}

/* The search for what is missed begins, orthogonal to more than the k pairs where more of them are good: so it need not
   find those once more. Their residuals r couple them to the rest, which moves what is left, above `limit`, by no more
   than the sum of r^2 / (limit - theta) (the Schur complement): half the tolerance may go there. */
static void invman_i_lanczos_search(invman_i_lanczos *s, double norm, double allowed) {
  size_t i, k = s->k, room = k + (s->most - k) / 3;
  double lost = 0, lambda = s->theta[k - 1], limit = lambda + fmax(allowed, 1e-13 * norm);
  for (i = k; i < s->size && i < room; i++) {
    double residual = invman_i_lanczos_residual(s, i);
    lost += residual * residual / (limit - s->theta[i]);
    if (!(lost <= allowed / 2)) break;
  }
  s->searching = 1;
  s->locked = i;
  s->searches++;
  memcpy(s->found, s->theta, k * sizeof *s->found);
  s->missed[0].least = limit - allowed / 2;
  s->missed[1].least = lambda + fmax(allowed, 1e-9 * norm) - allowed / 2;
  s->missed[0].excluded = s->missed[1].excluded = 0;
  invman_i_lanczos_restart(s, s->locked, 1);
}

/* Can nothing be left? Where the search has come upon lambda_k once more, its copies cover what lies just above it:
   from rounding errors they return as fast as the parts of what is missed can grow. */
static int invman_i_lanczos_complete(const invman_i_lanczos *s, double allowed) {
  double lambda = s->theta[s->k - 1];
  if (s->missed[0].excluded) return 1;
  return s->missed[1].excluded && invman_i_lanczos_residual(s, s->k) <= allowed &&
         lambda - s->theta[s->k] <= fmax(allowed, 1e-9 * fabs(lambda));
}

/* Have the k pairs converged, and is nothing left to find? Half the tolerance is for the pairs at the start of a
   search, since what is left of their residuals then is not pursued any more, and another search may add to it. */
static int invman_i_lanczos_done(invman_i_lanczos *s, double tol) {
  double norm = fmax(fabs(s->theta[0]), fabs(s->theta[s->size - 1])), allowed = tol * norm;
  size_t i;
  if (s->size == s->n) return 1;
  for (i = 0; s->searching && i < s->k; i++)
    if (s->theta[i] > s->found[i] + allowed) s->searching = s->missed[0].excluded = 0;
  for (i = 0; i < s->k; i++)
    if (invman_i_lanczos_residual(s, i) > allowed / 2) return 0;
  if (s->searching) return invman_i_lanczos_complete(s, allowed);
  invman_i_lanczos_search(s, norm, allowed);
  return 0;
}

/* Steps, with a look at the Ritz pairs now and then, until they are good or there have been too many restarts. */
static invman_status invman_i_lanczos_run(invman_i_lanczos *s, double tol) {
  size_t restarts = 0, since = 0, held, every = invman_i_max(INVMAN_I_TOP_CHECK, (s->most - s->k) / 6);
  invman_i_lanczos_fresh(s, 0);
  for (;;) {
    invman_status status = invman_i_lanczos_step(s);
    if (status < 0) return status;
    since++;
    if (s->ctx && s->ctx->progress && s->ctx->progress("eigh_top", -1, s->ctx->user)) return INVMAN_STOPPED;
    if (s->size < s->most && (s->size < s->k || (since < every && !s->missed[0].excluded))) continue;
    since = 0;
    status = invman_i_lanczos_ritz(s);
    if (status < 0) return status;
    if (s->searches > s->k + INVMAN_I_TOP_RESTARTS) return INVMAN_NOT_CONVERGED; /* A is another each time */
    if (invman_i_lanczos_done(s, tol)) return INVMAN_OK;
    if (s->size < s->most) continue;
    if (restarts++ >= INVMAN_I_TOP_RESTARTS) return INVMAN_NOT_CONVERGED;
    held = s->searching ? s->locked : s->k;
    invman_i_lanczos_restart(s, held + (s->most - held) / 3, 0);
  }
}

invman_status invman_eigh_top(const invman_context *ctx, size_t n, size_t k, invman_apply apply, void *arg, double tol,
                              double *lambda, double *V) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_lanczos s;
  invman_status status, ritz;
  size_t i;
  if (k > n || !(tol >= 0)) return invman_i_bad(ctx, "eigh_top: k exceeds n, or tol is negative");
  if (k == 0) return INVMAN_OK;
  if (!apply || !lambda || !V) return invman_i_bad(ctx, "eigh_top: apply, lambda or V is NULL");
  memset(&s, 0, sizeof s);
  s.ctx = ctx;
  s.n = n;
  s.k = k;
  s.most = invman_i_min(n, k + invman_i_max(INVMAN_I_TOP_EXTRA, k / 2));
  s.apply = apply;
  s.arg = arg;
  invman_rng_seed(&s.rng, 1, INVMAN_STREAM_KERNEL);
  if (invman_i_lanczos_take(&scope, &s) < 0) return invman_i_close(&scope);
  status = invman_i_lanczos_run(&s, fmax(invman_i_or(tol, 1e-14), 8 * DBL_EPSILON));
  ritz = status == INVMAN_STOPPED ? invman_i_lanczos_ritz(&s) : INVMAN_OK;
  scope.status = ritz < 0 ? ritz : status;
  if (scope.status < 0) return invman_i_close(&scope);
  memset(V, 0, k * n * sizeof *V);
  k = invman_i_min(k, s.size);
  invman_i_product_add(ctx, &s.room, 1, invman_i_plain(s.Y, k, s.size, s.size), invman_i_plain(s.Q, s.size, n, n), V, n,
                       0);
  for (i = 0; i < s.k; i++) {
    lambda[i] = i < k ? ldexp(s.theta[i], -s.exponent) : 0;
    invman_i_fix_sign(V + i * n, n);
  }
  if (invman_i_check_result(ctx, lambda, s.k, "eigh_top: an eigenvalue is not finite") < 0) {
    scope.status = INVMAN_E_NONFINITE;
    memset(V, 0, s.k * n * sizeof *V);
  }
  return invman_i_close(&scope);
}

/* =========================================================================================================== >>stats
   Sorting, shuffling, medians, and the exponents of power laws. */

static double invman_i_root_mean_square(const double *x, size_t n) { return sqrt(invman_i_inner(x, x, n) / (double)n); }

static double invman_i_largest(const double *x, size_t n) {
  double most = 0;
  size_t i;
  for (i = 0; i < n; i++) most = fabs(x[i]) > most ? fabs(x[i]) : most;
  return most;
}

static int invman_i_all_finite(const double *x, size_t n) {
  size_t k;
  for (k = 0; k < n && invman_i_isfinite(x[k]); k++) {}
  return k == n;
}

/* ---- heaps of doubles, the largest at the root: to sort, and to keep the k smallest of many */

static void invman_i_sift(double *heap, size_t n, size_t i) {
  double value = heap[i];
  size_t child;
  while ((child = 2 * i + 1) < n) {
    if (child + 1 < n && heap[child + 1] > heap[child]) child++;
    if (heap[child] <= value) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = value;
}

static void invman_i_heapify(double *x, size_t n) {
  size_t i;
  for (i = n / 2; i > 0; i--) invman_i_sift(x, n, i - 1);
}

static void invman_i_sort(double *x, size_t n) { /* ascending */
  invman_i_heapify(x, n);
  while (n > 1) {
    double largest = x[0];
    x[0] = x[--n];
    x[n] = largest;
    invman_i_sift(x, n, 0);
  }
}

static void invman_i_shuffle(double *x, size_t n, invman_rng *rng) { /* Fisher-Yates */
  for (; n > 1; n--) {
    size_t j = invman_i_below(rng, n);
    double swap = x[n - 1];
    x[n - 1] = x[j];
    x[j] = swap;
  }
}

/* The median of `count` values, which are sorted. */
static double invman_i_median(double *x, size_t count) {
  invman_i_sort(x, count);
  if (count % 2) return x[count / 2];
  return x[count / 2] <= 0.5 * DBL_MAX ? 0.5 * (x[count / 2 - 1] + x[count / 2])
                                       : 0.5 * x[count / 2 - 1] + 0.5 * x[count / 2];
}

/* ---- power laws */

static invman_status invman_i_check_positive(const invman_context *ctx, const double *x, size_t n, const char *what) {
  size_t i;
  for (i = 0; i < n; i++)
    if (!(x[i] > 0 && x[i] <= DBL_MAX))
      return invman_i_fail(ctx, invman_i_isfinite(x[i]) ? INVMAN_E_ARG : INVMAN_E_NONFINITE, what, "element", i);
  return INVMAN_OK;
}

/* ln(a/b), a and b positive: of near ones right to the rounding of their difference, and the same in any unit */
static double invman_i_log_ratio(double a, double b) {
  double excess = a >= b ? (a - b) / b : (b - a) / a;
  if (excess > DBL_MAX) return invman_i_log(a) - invman_i_log(b);
  return a >= b ? invman_i_log1p(excess) : -invman_i_log1p(excess);
}

/* Logarithms are taken relative to the first point's: where all x are equal, that is 0 without rounding. */
invman_status invman_fit_power_law(const invman_context *ctx, const double *x, const double *y, size_t n,
                                   double *exponent, double *stderr_) {
  double mean[2] = {0, 0}, xx = 0, xy = 0, rest = 0, slope;
  invman_status status;
  size_t i;
  if (!x || !y || n < 2) return invman_i_bad(ctx, "fit_power_law: x or y is NULL, or fewer than two points");
  if (n > SIZE_MAX / sizeof(double)) return invman_i_fail(ctx, INVMAN_E_SIZE, "fit_power_law: so many points", "", 0);
  status = invman_i_check_positive(ctx, x, n, "fit_power_law: an x is not positive and finite");
  if (status == INVMAN_OK) status = invman_i_check_positive(ctx, y, n, "fit_power_law: a y is not positive and finite");
  if (status < 0) return status;

  for (i = 0; i < n; i++) {
    mean[0] += invman_i_log_ratio(x[i], x[0]) / (double)n;
    mean[1] += invman_i_log_ratio(y[i], y[0]) / (double)n;
  }
  for (i = 0; i < n; i++) {
    double dx = invman_i_log_ratio(x[i], x[0]) - mean[0], dy = invman_i_log_ratio(y[i], y[0]) - mean[1];
    xx += dx * dx;
    xy += dx * dy;
  }
  if (!(xx > 0)) return invman_i_bad(ctx, "fit_power_law: all x are equal");

  slope = xy / xx;
  for (i = 0; i < n; i++) {
    double dx = invman_i_log_ratio(x[i], x[0]) - mean[0], dy = invman_i_log_ratio(y[i], y[0]) - mean[1];
    rest += (dy - slope * dx) * (dy - slope * dx);
  }
  if (exponent) *exponent = slope;
  if (stderr_) *stderr_ = n > 2 ? sqrt(rest / ((double)(n - 2) * xx)) : HUGE_VAL;
  return INVMAN_OK;
}

/* One row's runs that are there; returns how many. */
static size_t invman_i_present(const double *y, size_t seeds, double *out) {
  size_t i, count = 0;
  for (i = 0; i < seeds; i++)
    if (y[i] == y[i]) out[count++] = y[i];
  return count;
}

/* The medians over the runs of every x, or over runs drawn from them; returns the least count of runs at an x. */
static size_t invman_i_medians(const double *y, size_t n, size_t seeds, invman_rng *rng, double *row, double *draw,
                               double *medians) {
  size_t i, j, least = seeds;
  for (i = 0; i < n; i++) {
    size_t count = invman_i_present(y + i * seeds, seeds, row);
    for (j = 0; j < count; j++) draw[j] = row[rng ? invman_i_below(rng, count) : j];
    medians[i] = count > 0 ? invman_i_median(draw, count) : 0;
    least = invman_i_min(least, count);
  }
  return least;
}

/* Percentile intervals (Efron, 1979). Every x draws its seeds anew. A draw whose medians have no exponent (one is 0)
   may stand for any: it is below the lower end and above the upper one. */
invman_status invman_median_power_law(const invman_context *ctx, const double *x, const double *y, size_t n,
                                      size_t seeds, size_t draws, invman_rng *rng, double *exponent,
                                      double interval[2]) {
  invman_i_scope scope = invman_i_open(ctx);
  double *row, *draw, *medians, *slopes;
  size_t k, good = 0, least = 0, low, high;
  if (!x || !y || !rng || n < 2 || seeds == 0) return invman_i_bad(ctx, "median_power_law: NULL, or too few values");
  draws = draws > 0 ? draws : 1000;
  if (invman_i_mul(n, seeds) > SIZE_MAX / sizeof(double) || draws > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "median_power_law: sizes too large: their product overflows", "", 0);
  row = invman_i_doubles(&scope, seeds);
  draw = invman_i_doubles(&scope, seeds);
  medians = invman_i_doubles(&scope, n);
  slopes = invman_i_doubles(&scope, draws);
  if (scope.status == INVMAN_OK)
    scope.status = invman_i_check_positive(ctx, x, n, "median_power_law: an x is not positive and finite");
  if (scope.status == INVMAN_OK) {
    least = invman_i_medians(y, n, seeds, NULL, row, draw, medians);
    scope.status = invman_i_check_positive(ctx, medians, n,
                                           "median_power_law: the median of this x is not positive "
                                           "and finite, or there is no run");
  }
  if (scope.status == INVMAN_OK && invman_fit_power_law(NULL, x, medians, n, exponent, NULL) < 0)
    scope.status = invman_i_bad(ctx, "median_power_law: all x are equal");
  for (k = 0; k < draws && scope.status == INVMAN_OK; k++) {
    (void)invman_i_medians(y, n, seeds, rng, row, draw, medians);
    good += invman_fit_power_law(NULL, x, medians, n, &slopes[good], NULL) == INVMAN_OK;
  }
  if (scope.status == INVMAN_OK && interval) {
    invman_i_sort(slopes, good);
    low = (size_t)(0.025 * (double)draws);
    high = (size_t)(0.975 * (double)(draws - 1) + 0.5);
    interval[0] = least > 1 && low >= draws - good ? slopes[low - (draws - good)] : -HUGE_VAL;
    interval[1] = least > 1 && high < good ? slopes[high] : HUGE_VAL;
  }
  return invman_i_close(&scope);
}

double invman_beta_lazy(size_t d) { return d > 0 ? (double)d / (3 * (double)d - 2) : 0; }

/* The lazy exponent and what a compression by Lambda ~ sqrt(p) adds to it. */
double invman_beta_feature(size_t d, size_t d_par) {
  double perp;
  if (d_par == 0 || d_par > d) return 0;
  perp = (double)(d - d_par);
  return ((double)d + (d_par == 1 ? perp : perp / 2)) / (3 * (double)d - 2);
}

/* ================================================================================================= >>data
   Points from N(0, 1_d) and their labels; the geometry that makes both labels equally likely. */

static invman_status invman_i_check_labels(const invman_context *ctx, const double *y, size_t n, const char *what) {
  size_t i;
  for (i = 0; i < n; i++)
    if (y[i] != 1 && y[i] != -1)
      return invman_i_fail(ctx, invman_i_isfinite(y[i]) ? INVMAN_E_ARG : INVMAN_E_NONFINITE, what, "element", i);
  return INVMAN_OK;
}

static invman_status invman_i_check_data(const invman_context *ctx, const invman_data *data) {
  invman_status status;
  if (!data || !data->x || !data->y || data->n == 0 || data->d == 0) return invman_i_bad(ctx, "data: empty");
  if (invman_i_mul(data->n, data->d) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "data: n*d overflows", "", 0);
  status = invman_i_check_finite(ctx, data->x, data->n * data->d, "data: x is not finite");
  if (status < 0) return status;
  return invman_i_check_labels(ctx, data->y, data->n, "data: a label is neither -1 nor +1");
}

/* P(|x| < radius) for x ~ N(0, 1_k) = u^a e^-u / Gamma(a+1) sum_i u^i / ((a+1)..(a+i)), a = k/2, u = radius^2/2 */
static double invman_i_ball_probability(double radius, size_t k) {
  double a = (double)k / 2, u = radius * radius / 2, log_gamma = 0, factor, term = 1, sum = 1, i;
  for (i = a; i > 0; i--) log_gamma += invman_i_log(i);
  if (k % 2) log_gamma += 0.5 * invman_i_log(3.14159265358979323846); /* Gamma(1/2) */
  for (i = 1; term > 1e-17 * sum; i++) sum += term *= u / (a + i);
  factor = invman_i_exp(a * invman_i_log(u) - u - log_gamma);
  return factor * sum;
}

double invman_equiprobable_radius(size_t d_par) {
  double low = 0, high = sqrt((double)d_par) + 2, a = (double)d_par / 2;
  if (d_par == 2) return 1.17741002251547469101;                      /* sqrt(2 ln 2) */
  if (d_par > 100000) return sqrt(2 * (a - 1.0 / 3 + 8 / (405 * a))); /* the median's expansion, exact to rounding */
  while (high - low > 1e-15 * high) {
    double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    if (invman_i_ball_probability(middle, d_par) < 0.5) low = middle;
    else high = middle;
  }
  return high;
}

static double invman_i_label(const invman_data_model *m, const double *x) {
  size_t k, side = 0;
  double square = 0;
  if (m->kind == INVMAN_CUSTOM) {
    double value = m->label(x, m->d_par, m->user);
    return value > 0 ? 1 : value < 0 ? -1 : 0;
  }
  if (m->kind == INVMAN_CYLINDER) {
    for (k = 0; k < m->d_par; k++) square += invman_i_product(x[k], x[k]);
    return square > invman_i_product(m->radius, m->radius) ? 1 : -1;
  }
  for (k = 0; k < m->interface_count; k++) side += x[0] > m->interfaces[k];
  return side % 2 ? -1 : 1;
}

/* The model with its defaults filled in. */
static invman_status invman_i_resolve_model(const invman_context *ctx, invman_data_model *m) {
  static const double stripe[2] = {-0.3, 1.18549233272327254};
  size_t k;
  if (m->kind < INVMAN_STRIPE || m->kind > INVMAN_CUSTOM) return invman_i_bad(ctx, "data model: unknown kind");
  if (m->d == 0) return invman_i_bad(ctx, "data model: d is 0");
  if (m->d_par == 0) m->d_par = m->kind == INVMAN_STRIPE ? 1 : m->kind == INVMAN_CYLINDER ? 2 : m->d;
  if (m->d_par > m->d) return invman_i_bad(ctx, "data model: d_par exceeds d");
  if (m->compression == 0) m->compression = 1;
  if (!(m->compression > 0) || !invman_i_isfinite(m->compression))
    return invman_i_bad(ctx, "data model: compression must be positive and finite");
  if (m->kind == INVMAN_CUSTOM && !m->label) return invman_i_bad(ctx, "data model: a custom label needs its function");
  if (m->kind == INVMAN_CYLINDER) {
    if (m->radius == 0) m->radius = invman_equiprobable_radius(m->d_par);
    if (!(m->radius > 0) || !invman_i_isfinite(m->radius))
      return invman_i_bad(ctx, "data model: the radius must be positive and finite");
  }
  if (m->kind == INVMAN_STRIPE) {
    if (m->d_par != 1) return invman_i_bad(ctx, "data model: stripes have d_par = 1");
    if (!m->interfaces) {
      m->interfaces = stripe;
      m->interface_count = 2;
    }
    if (m->interface_count == 0) return invman_i_bad(ctx, "data model: a stripe needs an interface");
    if (m->interface_count > SIZE_MAX / sizeof(double))
      return invman_i_fail(ctx, INVMAN_E_SIZE, "data model: so many interfaces cannot be", "", 0);
    for (k = 0; k < m->interface_count; k++)
      if (!invman_i_isfinite(m->interfaces[k]) || (k > 0 && m->interfaces[k] <= m->interfaces[k - 1]))
        return invman_i_fail(ctx, INVMAN_E_ARG, "data model: interfaces must be finite and increasing", "element", k);
  }
  return INVMAN_OK;
}

static double *invman_i_data_take(invman_i_scope *scope, size_t n, size_t d, invman_data *data) {
  data->n = n;
  data->d = d;
  data->x = invman_i_doubles(scope, invman_i_mul(n, d));
  data->y = invman_i_doubles(scope, n);
  return data->y;
}

invman_status invman_data_sample(const invman_context *ctx, const invman_data_model *model, size_t n, invman_rng *rng,
                                 invman_data *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_data_model m;
  invman_data data;
  size_t i, k;
  if (!out) return invman_i_bad(ctx, "data_sample: out is NULL");
  memset(out, 0, sizeof *out);
  if (!model || !rng || n == 0) return invman_i_bad(ctx, "data_sample: model or rng is NULL, or n is 0");
  m = *model;
  memset(&data, 0, sizeof data);
  if (m.d > 0 && !invman_i_data_take(&scope, n, m.d, &data)) return invman_i_close(&scope);
  scope.status = invman_i_resolve_model(ctx, &m);
  if (scope.status < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++) {
    double *x = data.x + i * m.d;
    for (k = 0; k < m.d; k++) x[k] = invman_rng_normal(rng);
    data.y[i] = invman_i_label(&m, x);
    if (data.y[i] == 0) {
      scope.status = invman_i_fail(ctx, INVMAN_E_ARG, "data_sample: the label function gave 0 or NaN", "element", i);
      return invman_i_close(&scope);
    }
    for (k = m.d_par; k < m.d; k++) x[k] /= m.compression;
    scope.status = invman_i_check_finite(ctx, x, m.d, "data_sample: so little compression makes x infinite");
    if (scope.status < 0) return invman_i_close(&scope);
  }
  *out = data;
  return INVMAN_OK;
}

void invman_data_shuffle(invman_data *data, invman_rng *rng) {
  size_t i, k;
  if (!data || !data->x || !data->y || !rng) return;
  for (i = data->n; i > 1; i--) {
    size_t j = invman_i_below(rng, i);
    double *a = data->x + (i - 1) * data->d, *b = data->x + j * data->d, swap;
    for (k = 0; k < data->d; k++) {
      swap = a[k];
      a[k] = b[k];
      b[k] = swap;
    }
    swap = data->y[i - 1];
    data->y[i - 1] = data->y[j];
    data->y[j] = swap;
  }
}

void invman_data_free(const invman_context *ctx, invman_data *data) {
  if (!data) return;
  invman_i_free(ctx, data->x);
  invman_i_free(ctx, data->y);
  memset(data, 0, sizeof *data);
}

INVMAN_I_HOT

/* ============================================================================================== >>network
   Eq. (1), and the sums over points and neurons from which all other sections are built. */

/* Weights (or their rates) in panels of eight neurons: rows omega_k/sqrt(d) for k < d, then b, then beta. */
typedef struct invman_i_pack {
  size_t h, d, panels; /* panels: whole register tiles, the last ones padded by neurons of weight zero */
  double *v;           /* (panels, d+2, 8) */
} invman_i_pack;

/* A register tile: sums for some points and the neurons of some panels, in proportion to the registers there are. */
enum { INVMAN_I_TILE = 4, INVMAN_I_MOST_ROWS = 6 }; /* panels and rows of G at most; */
#define INVMAN_I_UNITS(L)  ((L) < 0 ? -(L) : (L))
#define INVMAN_I_PANELS(L) (INVMAN_I_UNITS(L) == 8 ? 4 : 1) /* with registers of L doubles or of -2 L floats, */
#define INVMAN_I_PAIRS(L)  (INVMAN_I_UNITS(L) == 8 ? 2 : 1) /* and where each comes with its rates; */
#if defined(__clang__) /* rows of G: clang does not keep 24 sums in 32 registers, gcc does */
#define INVMAN_I_ROWS(L) (INVMAN_I_UNITS(L) == 4 ? 6 : INVMAN_I_UNITS(L) == 1 ? 2 : 4)
#else
#define INVMAN_I_ROWS(L) (INVMAN_I_UNITS(L) >= 4 ? 6 : INVMAN_I_UNITS(L) == 1 ? 2 : 4)
#endif

static double *invman_i_panel(const invman_i_pack *p, size_t q) { return p->v + q * (p->d + 2) * INVMAN_I_WIDTH; }
INVMAN_I_INLINE const invman_i_lanes *invman_i_row(const invman_i_pack *p, size_t q, size_t k) {
  return (const invman_i_lanes *)(const void *)(p->v + (q * (p->d + 2) + k) * INVMAN_I_WIDTH);
}

static invman_i_pack invman_i_pack_take(invman_i_scope *scope, size_t h, size_t d) {
  invman_i_pack pack;
  pack.h = h;
  pack.d = d;
  pack.panels = (h / INVMAN_I_WIDTH + (h % INVMAN_I_WIDTH != 0) + INVMAN_I_TILE - 1) & ~(size_t)(INVMAN_I_TILE - 1);
  pack.v = (double *)invman_i_take(scope, invman_i_mul(invman_i_mul(pack.panels, invman_i_add(d, 2)), INVMAN_I_WIDTH),
                                   sizeof(double));
  return pack;
}

/* The same in single precision, or room for it: panels of sixteen neurons, two wide ones side by side. */
static invman_i_pack invman_i_narrow_take(invman_i_scope *scope, size_t h, size_t d) {
  return invman_i_pack_take(scope, h / 2 + h % 2, d);
}

static void invman_i_narrow_panel(const invman_i_pack *from, const invman_i_pack *to, size_t q) {
  size_t k, half;
  int l;
  for (k = 0; k < from->d + 2; k++) {
    invman_i_lanes row = invman_i_zero;
    for (half = 0; half < 2 && 2 * q + half < from->panels; half++) {
      invman_i_lanes wide = *invman_i_row(from, 2 * q + half, k);
      for (l = 0; l < INVMAN_I_WIDTH; l++) row.f[half * INVMAN_I_WIDTH + (size_t)l] = (float)wide.d[l];
    }
    *((invman_i_lanes *)(void *)invman_i_panel(to, q) + k) = row;
  }
}

/* Rows 0..d of the wide panels += those of a narrow one, which are then zero. */
static void invman_i_widen_rates(const invman_i_pack *from, const invman_i_pack *to, size_t q) {
  size_t k, half;
  int l;
  for (k = 0; k <= from->d; k++) {
    invman_i_lanes *row = (invman_i_lanes *)(void *)invman_i_panel(from, q) + k, sum = *row;
    for (half = 0; half < 2 && 2 * q + half < to->panels; half++) {
      invman_i_lanes *out = (invman_i_lanes *)(void *)invman_i_panel(to, 2 * q + half) + k, wide = *out;
      for (l = 0; l < INVMAN_I_WIDTH; l++) wide.d[l] += (double)sum.f[half * INVMAN_I_WIDTH + (size_t)l];
      *out = wide;
    }
    *row = invman_i_zero;
  }
}

/* The points a sum runs over: rows indices[0..n-1] of x (n, d), or all rows in order. */
typedef struct invman_i_points {
  const double *x;
  const float *narrow; /* the same, for sweeps in single precision */
  const size_t *indices;
  size_t n, d;
} invman_i_points;

static invman_i_points invman_i_points_of(const double *x, const size_t *indices, size_t n, size_t d) {
  invman_i_points p;
  p.x = x;
  p.narrow = NULL;
  p.indices = indices;
  p.n = n;
  p.d = d;
  return p;
}

static invman_i_points invman_i_slice(const invman_i_points *p, size_t first, size_t count) {
  invman_i_points slice = *p;
  if (p->indices) slice.indices += first;
  else slice.x += first * p->d;
  if (p->narrow && !p->indices) slice.narrow += first * p->d;
  slice.n = count;
  return slice;
}

static size_t invman_i_row_index(const invman_i_points *p, size_t i) { return p->indices ? p->indices[i] : i; }
static const double *invman_i_point(const invman_i_points *p, size_t i) {
  return p->x + p->d * invman_i_row_index(p, i);
}

enum { INVMAN_I_POINTS = INVMAN_I_VECTORS ? 4 : 2 }; /* points whose sums are held in registers at a time */

/* Points i.. for a register tile; beyond the end the last one again, whose sums are not used. */
INVMAN_I_INLINE void invman_i_few_points(const invman_i_points *p, size_t i, const void *x[INVMAN_I_POINTS]) {
  size_t k;
  for (k = 0; k < INVMAN_I_POINTS; k++) x[k] = invman_i_point(p, invman_i_min(i + k, p->n - 1));
}

typedef const invman_i_lanes *invman_i_tile[INVMAN_I_TILE];           /* first rows of some panels */
typedef invman_i_lanes invman_i_sums[INVMAN_I_POINTS][INVMAN_I_TILE]; /* a value for each of their neurons and points */

INVMAN_I_INLINE double invman_i_input(const void *x, size_t k, const int L) {
  return L < 0 ? (double)((const float *)x)[k] : ((const double *)x)[k];
}

INVMAN_I_INLINE void invman_i_tile_of(const invman_i_lanes **v, const invman_i_pack *w, size_t q, const int J) {
  int j;
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) v[j] = invman_i_row(w, q + (size_t)j, 0);
}

/* z[i][j] = row(bias) + sum_k x_ik row(k): with the weights, eq. (1)'s preactivations of some points and the
   neurons of the tile's panels from..to-1; with their rates, G.x~. */
INVMAN_I_INLINE void invman_i_dot(invman_i_sums z, const invman_i_tile v, size_t d,
                                  const void *const x[INVMAN_I_POINTS], const int from, const int to, const int L) {
  size_t k;
  int i, j;
  INVMAN_I_UNROLL
  for (i = 0; i < INVMAN_I_POINTS; i++) {
    INVMAN_I_UNROLL
    for (j = from; j < to; j++) invman_i_set(&z[i][j], &v[j][d], L);
  }
  for (k = 0; k < d; k++) {
    INVMAN_I_UNROLL
    for (i = 0; i < INVMAN_I_POINTS; i++) {
      INVMAN_I_UNROLL
      for (j = from; j < to; j++) invman_i_add_scaled(&z[i][j], invman_i_input(x[i], k, L), &v[j][k], L);
    }
  }
}

/* z in columns 0..J-1 and G.x~ in columns J..2J-1, together where there are registers for both. */
INVMAN_I_INLINE void invman_i_dot_pairs(invman_i_sums z, const invman_i_tile v, size_t d,
                                        const void *const x[INVMAN_I_POINTS], const int J, const int L) {
  if (2 * J <= INVMAN_I_PANELS(L)) {
    invman_i_dot(z, v, d, x, 0, 2 * J, L);
  } else {
    invman_i_dot(z, v, d, x, 0, J, L);
    invman_i_dot(z, v, d, x, J, 2 * J, L);
  }
}

typedef struct invman_i_sweep {
  const invman_i_pack *net;
  invman_i_pack *grad;
  const invman_i_pack *narrow; /* (2) room for both in single precision; NULL: in double */
  invman_i_points x;
  const double *r; /* gradients: factor of each row of x */
  int add;         /* gradients: add to what is there */
  double *out;     /* (groups, n) partial sums */
  size_t group;    /* panels per task */
} invman_i_sweep;

static const invman_i_pack *invman_i_swept(const invman_i_sweep *s) { return s->narrow ? s->narrow : s->net; }

/* Neurons are summed in groups, whose number depends on h alone. */
enum { INVMAN_I_MOST_GROUPS = 64 };
static size_t invman_i_group(size_t panels) {
  return invman_i_max(8, (panels / INVMAN_I_MOST_GROUPS + INVMAN_I_TILE) & ~(size_t)(INVMAN_I_TILE - 1));
}
static size_t invman_i_groups(size_t panels) {
  size_t group = invman_i_group(panels);
  return (panels + group - 1) / group;
}

/* out = max(0, z): plain C has one instruction for just this */
INVMAN_I_INLINE void invman_i_positive_part(invman_i_lanes *out, const invman_i_lanes *z, const int L) {
#if INVMAN_I_VECTORS
  invman_i_gate(out, z, z, L);
#else
#define INVMAN_I_OP(piece, V, M, T) out->piece = z->piece > 0 ? z->piece : 0;
  INVMAN_I_EITHERWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
#endif
}

/* The sum of all lanes, of doubles in the order of invman_i_sum_lanes(). */
INVMAN_I_INLINE double invman_i_sum_across(const invman_i_lanes *x, const int L) {
#if INVMAN_I_VECTORS
  invman_i_lanes half;
  invman_i_v2 pair;
  if (L < 0) {
    invman_i_f4 four;
    half.f8[0] = x->f8[0] + x->f8[1];
    four = half.f4[0] + half.f4[1];
    return ((double)four[0] + (double)four[2]) + ((double)four[1] + (double)four[3]);
  }
  if (L >= 4) {
    half.v4[0] = x->v4[0] + x->v4[1];
    pair = half.v2[0] + half.v2[1];
    return pair[0] + pair[1];
  }
#else
  if (L < 0) {
    float half[INVMAN_I_WIDTH] = {0};
    int l;
    for (l = 0; l < INVMAN_I_WIDTH; l++) half[l] = x->f[l] + x->f[l + INVMAN_I_WIDTH];
    for (l = 0; l < INVMAN_I_WIDTH / 2; l++) half[l] += half[l + INVMAN_I_WIDTH / 2];
    return ((double)half[0] + (double)half[2]) + ((double)half[1] + (double)half[3]);
  }
#endif
  return invman_i_sum_lanes(x);
}

/* PART(name, type) makes the function `name` of (type *, L) out of the inline name_body of the same: one that is not
   inlined, so that an innermost loop has all the registers. */
#if INVMAN_I_VECTORS && (defined(__x86_64__) || defined(__i386__))
#define INVMAN_I_PART_FOR(name, type, S)                                                                     \
  __attribute__((target("avx512f,avx512dq,avx512vl"), noinline)) static void name##_512(type *arg) {         \
    name##_body(arg, S 8);                                                                                   \
  }                                                                                                          \
  __attribute__((target("avx2,fma"), noinline)) static void name##_256(type *arg) { name##_body(arg, S 4); } \
  __attribute__((noinline)) static void name##_base(type *arg) { name##_body(arg, S INVMAN_I_BASE); }
#define INVMAN_I_PART(name, type)                                                          \
  INVMAN_I_PART_FOR(name, type, +)                                                         \
  INVMAN_I_INLINE void name##_single_body(type *arg, const int L) { name##_body(arg, L); } \
  INVMAN_I_PART_FOR(name##_single, type, -)                                                \
  INVMAN_I_INLINE void name(type *arg, const int L) {                                      \
    if (L == 8) name##_512(arg);                                                           \
    else if (L == 4) name##_256(arg);                                                      \
    else if (L > 0) name##_base(arg);                                                      \
    else if (L == -8) name##_single_512(arg);                                              \
    else if (L == -4) name##_single_256(arg);                                              \
    else name##_single_base(arg);                                                          \
  }
#else
#define INVMAN_I_PART(name, type) \
  INVMAN_I_INLINE void name(type *arg, const int L) { name##_body(arg, L); }
#endif

/* KERNELS(name): the tasks `name` and `name_single`, in either precision. */
#define INVMAN_I_KERNELS(name)                                                                           \
  INVMAN_I_INLINE void name##_single_body(size_t i, void *arg, const int L) { name##_body(i, arg, -L); } \
  INVMAN_I_KERNEL(name)                                                                                  \
  INVMAN_I_KERNEL(name##_single)

enum { INVMAN_I_CHUNK_POINTS = 256, INVMAN_I_POINT_BLOCK = 64 };

/* Points on their way through a group of neurons: filled up to whole tiles by the last one, whose sums are not used. */
typedef struct invman_i_chunk {
  size_t count;
  const void *x[INVMAN_I_CHUNK_POINTS];
  double r[INVMAN_I_CHUNK_POINTS];
} invman_i_chunk;

static void invman_i_gather(const invman_i_sweep *s, size_t first, invman_i_chunk *c) {
  size_t i;
  c->count = invman_i_min(s->x.n - first, INVMAN_I_CHUNK_POINTS);
  for (i = 0; i < c->count || i % INVMAN_I_POINTS > 0; i++) {
    size_t row = invman_i_row_index(&s->x, first + invman_i_min(i, c->count - 1));
    if (s->narrow) c->x[i] = s->x.narrow + s->x.d * row;
    else c->x[i] = s->x.x + s->x.d * row;
    c->r[i] = s->r ? s->r[row] : 0;
  }
}

/* The sum over a group of neurons, for every point, of
     beta max(0, z)                        eq. (1), or, with the flow's rates at hand,
     1[z>0] (beta^2 G.x~ + (v.G) z)        how fast f moves along eq. (4). */
typedef struct invman_i_few {
  const invman_i_pack *net, *grad;
  size_t first, last;
  const void *const *x;
  double *sum;
} invman_i_few;

INVMAN_I_INLINE void invman_i_sum_terms(const invman_i_few *p, const int rate, const int L) {
  const int J = rate ? INVMAN_I_PAIRS(L) : INVMAN_I_PANELS(L);
  size_t d = p->net->d, q;
  const void *x[INVMAN_I_POINTS];
  invman_i_lanes sum[INVMAN_I_POINTS];
  int k, j;
  INVMAN_I_UNROLL
  for (k = 0; k < INVMAN_I_POINTS; k++) {
    x[k] = p->x[k];
    invman_i_set(&sum[k], &invman_i_zero, L);
  }
  for (q = p->first; q < p->last; q += (size_t)J) {
    invman_i_tile v;
    invman_i_sums z;
    invman_i_tile_of(v, p->net, q, J);
    if (rate) {
      invman_i_tile_of(v + J, p->grad, q, J);
      invman_i_dot_pairs(z, v, d, x, J, L);
    } else {
      invman_i_dot(z, v, d, x, 0, J, L);
    }
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) {
      invman_i_lanes square, term;
      invman_i_multiply(&square, &v[j][d + 1], &v[j][d + 1], L);
      INVMAN_I_UNROLL
      for (k = 0; k < INVMAN_I_POINTS; k++) {
        if (rate) {
          invman_i_multiply(&term, &square, &z[k][J + j], L);
          invman_i_add_product(&term, &v[J + j][d + 1], &z[k][j], L);
          invman_i_add_gated(&sum[k], &z[k][j], &term, L);
        } else {
          invman_i_positive_part(&term, &z[k][j], L);
          invman_i_add_product(&sum[k], &v[j][d + 1], &term, L);
        }
      }
    }
  }
  INVMAN_I_UNROLL
  for (k = 0; k < INVMAN_I_POINTS; k++) p->sum[k] = invman_i_sum_across(&sum[k], L);
}
INVMAN_I_INLINE void invman_i_values_body(const invman_i_few *p, const int L) { invman_i_sum_terms(p, 0, L); }
INVMAN_I_INLINE void invman_i_slopes_body(const invman_i_few *p, const int L) { invman_i_sum_terms(p, 1, L); }
INVMAN_I_PART(invman_i_values, const invman_i_few)
INVMAN_I_PART(invman_i_slopes, const invman_i_few)

INVMAN_I_INLINE void invman_i_neuron_sum(size_t task, const invman_i_sweep *s, const int rate, const int L) {
  double sum[INVMAN_I_CHUNK_POINTS];
  invman_i_chunk c;
  invman_i_few p;
  size_t done, i;
  p.net = L < 0 ? s->narrow : s->net;
  p.grad = L < 0 ? s->narrow + 1 : s->grad;
  p.first = task * s->group;
  p.last = invman_i_min(p.first + s->group, p.net->panels);
  for (i = p.first; L < 0 && i < p.last; i++) {
    invman_i_narrow_panel(s->net, p.net, i);
    if (rate) invman_i_narrow_panel(s->grad, p.grad, i);
  }
  for (done = 0; done < s->x.n; done += c.count) {
    double *out = s->out + task * s->x.n + done;
    invman_i_gather(s, done, &c);
    for (i = 0; i < c.count; i += INVMAN_I_POINTS) {
      p.x = c.x + i;
      p.sum = sum + i;
      if (rate) invman_i_slopes(&p, L);
      else invman_i_values(&p, L);
    }
    memcpy(out, sum, c.count * sizeof *sum);
  }
}
INVMAN_I_INLINE void invman_i_eval_body(size_t task, void *arg, const int L) {
  invman_i_neuron_sum(task, (const invman_i_sweep *)arg, 0, L);
}
INVMAN_I_INLINE void invman_i_rate_body(size_t task, void *arg, const int L) {
  invman_i_neuron_sum(task, (const invman_i_sweep *)arg, 1, L);
}
INVMAN_I_KERNELS(invman_i_eval)
INVMAN_I_KERNELS(invman_i_rate)

/* A block of points and a tile of neurons. */
typedef struct invman_i_tile_rates {
  invman_i_tile v;
  invman_i_lanes *row[INVMAN_I_TILE]; /* their rates */
  size_t d, count;
  const void *const *x;
  const double *r;
  invman_i_lanes gated[INVMAN_I_POINT_BLOCK][INVMAN_I_TILE]; /* r 1[z>0] */
} invman_i_tile_rates;

INVMAN_I_INLINE void invman_i_gates_body(invman_i_tile_rates *t, const int L) {
  const int J = INVMAN_I_PANELS(L);
  size_t i;
  int a, j;
  for (i = 0; i < t->count; i += INVMAN_I_POINTS) {
    invman_i_sums z;
    invman_i_dot(z, t->v, t->d, t->x + i, 0, J, L);
    INVMAN_I_UNROLL
    for (a = 0; a < INVMAN_I_POINTS; a++) {
      double r = t->r[i + (size_t)a];
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) invman_i_gate_scalar(&t->gated[i + (size_t)a][j], &z[a][j], r, L);
    }
  }
}
INVMAN_I_PART(invman_i_gates, invman_i_tile_rates)

/* Rows k..k+K-1 of the rates: += sum over a block of points of x~_k times the gated factor. The bias: the last of
   them is row d, where x~ is 1. */
INVMAN_I_INLINE void invman_i_accumulate(invman_i_tile_rates *t, size_t k, const int K, const int bias, const int L) {
  const int J = INVMAN_I_PANELS(L);
  invman_i_lanes acc[INVMAN_I_MOST_ROWS][INVMAN_I_TILE];
  size_t i;
  int a, j;
  if (K > INVMAN_I_ROWS(L)) return; /* never: a tile for other registers */
  INVMAN_I_UNROLL
  for (a = 0; a < K; a++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_set(&acc[a][j], &t->row[j][k + (size_t)a], L);
  }
  for (i = 0; i < t->count; i++) {
    INVMAN_I_UNROLL
    for (a = 0; a < K; a++) {
      double factor = bias && a == K - 1 ? 1 : invman_i_input(t->x[i], k + (size_t)a, L);
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) invman_i_add_scaled(&acc[a][j], factor, &t->gated[i][j], L);
    }
  }
  INVMAN_I_UNROLL
  for (a = 0; a < K; a++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_set(&t->row[j][k + (size_t)a], &acc[a][j], L);
  }
}

/* All rows, in passes of nearly the same number: one or two rows alone would wait for their own sums. */
INVMAN_I_INLINE void invman_i_all_rows_body(invman_i_tile_rates *t, const int L) {
  size_t passes = t->d / INVMAN_I_ROWS(L) + 1, few = (t->d + 1) / passes, more = (t->d + 1) % passes, pass, k = 0;
  for (pass = 0; pass + 1 < passes; pass++) {
    size_t K = few + (pass < more);
    if (K == 1) invman_i_accumulate(t, k, 1, 0, L);
    else if (K == 2) invman_i_accumulate(t, k, 2, 0, L);
    else if (K == 3) invman_i_accumulate(t, k, 3, 0, L);
    else if (K == 4) invman_i_accumulate(t, k, 4, 0, L);
    else if (K == 5) invman_i_accumulate(t, k, 5, 0, L);
    else invman_i_accumulate(t, k, 6, 0, L);
    k += K;
  }
  if (few == 1) invman_i_accumulate(t, k, 1, 1, L);
  else if (few == 2) invman_i_accumulate(t, k, 2, 1, L);
  else if (few == 3) invman_i_accumulate(t, k, 3, 1, L);
  else if (few == 4) invman_i_accumulate(t, k, 4, 1, L);
  else if (few == 5) invman_i_accumulate(t, k, 5, 1, L);
  else invman_i_accumulate(t, k, 6, 1, L);
}
INVMAN_I_PART(invman_i_all_rows, invman_i_tile_rates)

/* The rates' units: sums of r x~, or G as it is kept, in units of the packed weights, with v.G in the last row. */
INVMAN_I_INLINE void invman_i_open_rates(const invman_i_pack *grad, size_t q, int add, const int L) {
  invman_i_lanes *row = (invman_i_lanes *)(void *)invman_i_panel(grad, q);
  size_t d = grad->d, k;
  for (k = 0; k <= d; k++) invman_i_scale(&row[k], !add ? 0 : k < d ? (double)d : 1, add ? &row[k] : &invman_i_zero, L);
}
INVMAN_I_INLINE void invman_i_close_rates(const invman_i_pack *net, const invman_i_pack *grad, size_t q, const int L) {
  const invman_i_lanes *v = invman_i_row(net, q, 0);
  invman_i_lanes *row = (invman_i_lanes *)(void *)invman_i_panel(grad, q), sum;
  size_t d = net->d, k;
  invman_i_multiply(&sum, &v[d], &row[d], L);
  for (k = 0; k < d; k++) {
    invman_i_add_product(&sum, &v[k], &row[k], L);
    invman_i_scale(&row[k], 1 / (double)d, &row[k], L);
  }
  invman_i_set(&row[d + 1], &sum, L);
}

/* The rates of a group: G = sum_i r_i 1[z>0] x~_i in the rows of omega and b, in units of the packed weights
   (that is G_k/sqrt(d) = sum r x_k / d), and v.G in the last row. In single precision: chunks of points, whose sums are
   added up in double. */
INVMAN_I_INLINE void invman_i_gradient_body(size_t task, void *arg, const int L) {
  const invman_i_sweep *s = (const invman_i_sweep *)arg;
  const invman_i_pack *net = L < 0 ? s->narrow : s->net, *grad = L < 0 ? s->narrow + 1 : s->grad;
  const int J = INVMAN_I_PANELS(L), U = INVMAN_I_UNITS(L);
  size_t first = task * s->group, last = invman_i_min(first + s->group, net->panels), wide = L < 0 ? 2 : 1;
  size_t wide_last = invman_i_min(wide * last, s->net->panels), q, done, i;
  invman_i_chunk c;
  invman_i_tile_rates t;
  int j;
  t.d = net->d;
  for (q = wide * first; q < wide_last; q++) invman_i_open_rates(s->grad, q, s->add, U);
  for (q = first; L < 0 && q < last; q++) {
    invman_i_narrow_panel(s->net, net, q);
    invman_i_open_rates(grad, q, 0, U);
  }
  for (done = 0; done < s->x.n; done += c.count) {
    invman_i_gather(s, done, &c);
    for (q = first; q < last; q += (size_t)J) {
      invman_i_tile_of(t.v, net, q, J);
      for (j = 0; j < J; j++) t.row[j] = (invman_i_lanes *)(void *)invman_i_panel(grad, q + (size_t)j);
      for (i = 0; i < c.count; i += t.count) {
        t.count = invman_i_min(c.count - i, INVMAN_I_POINT_BLOCK);
        t.x = c.x + i;
        t.r = c.r + i;
        invman_i_gates(&t, L);
        invman_i_all_rows(&t, L);
      }
      for (j = 0; L < 0 && j < J; j++) invman_i_widen_rates(grad, s->grad, q + (size_t)j);
    }
  }
  for (q = wide * first; q < wide_last; q++) invman_i_close_rates(s->net, s->grad, q, U);
}
INVMAN_I_KERNELS(invman_i_gradient)

/* ---- of a network as the caller holds it */

static invman_status invman_i_check_net(const invman_context *ctx, const invman_net *net) {
  invman_status status;
  if (!net || !net->w || !net->b || !net->beta || net->h == 0 || net->d == 0)
    return invman_i_bad(ctx, "network: empty");
  if (invman_i_mul(net->h, net->d) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "network: h*d overflows", "", 0);
  status = invman_i_check_finite(ctx, net->w, net->h * net->d, "network: w is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, net->b, net->h, "network: b is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, net->beta, net->h, "network: beta is not finite");
  return status;
}

static double *invman_i_net_take(invman_i_scope *scope, size_t h, size_t d, invman_net *net) {
  net->h = h;
  net->d = d;
  net->w = invman_i_doubles(scope, invman_i_mul(h, d));
  net->b = invman_i_doubles(scope, h);
  net->beta = invman_i_doubles(scope, h);
  return net->beta;
}

invman_status invman_net_init(const invman_context *ctx, size_t h, size_t d, invman_rng *rng, invman_net *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_net net;
  size_t n, k;
  if (!out) return invman_i_bad(ctx, "net_init: out is NULL");
  memset(out, 0, sizeof *out);
  if (!rng || h == 0 || d == 0) return invman_i_bad(ctx, "net_init: rng is NULL, or h or d is 0");
  if (!invman_i_net_take(&scope, h, d, &net)) return invman_i_close(&scope);
  for (n = 0; n < h; n++) {
    for (k = 0; k < d; k++) net.w[n * d + k] = invman_rng_normal(rng);
    net.b[n] = invman_rng_normal(rng);
    net.beta[n] = invman_rng_normal(rng);
  }
  *out = net;
  return INVMAN_OK;
}

static void invman_i_copy_weights(const invman_net *from, const invman_net *to) {
  memcpy(to->w, from->w, from->h * from->d * sizeof(double));
  memcpy(to->b, from->b, from->h * sizeof(double));
  memcpy(to->beta, from->beta, from->h * sizeof(double));
}

invman_status invman_net_copy(const invman_context *ctx, const invman_net *net, invman_net *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_net copy;
  invman_status status = invman_i_check_net(ctx, net);
  if (!out || out == net) return invman_i_bad(ctx, "net_copy: out is NULL, or the network itself");
  memset(out, 0, sizeof *out);
  if (status < 0) return status;
  if (!invman_i_net_take(&scope, net->h, net->d, &copy)) return invman_i_close(&scope);
  invman_i_copy_weights(net, &copy);
  *out = copy;
  return INVMAN_OK;
}

void invman_net_free(const invman_context *ctx, invman_net *net) {
  if (!net) return;
  invman_i_free(ctx, net->w);
  invman_i_free(ctx, net->b);
  invman_i_free(ctx, net->beta);
  memset(net, 0, sizeof *net);
}

static double *invman_i_neuron(const invman_i_pack *p, size_t n) { /* its first row; the others follow 8 apart */
  return invman_i_panel(p, n / INVMAN_I_WIDTH) + n % INVMAN_I_WIDTH;
}

static void invman_i_pack_net(const invman_net *net, const invman_i_pack *pack) {
  double scale = 1 / sqrt((double)net->d);
  size_t n, k;
  for (n = 0; n < net->h; n++) {
    double *v = invman_i_neuron(pack, n);
    for (k = 0; k < net->d; k++) v[k * INVMAN_I_WIDTH] = net->w[n * net->d + k] * scale;
    v[net->d * INVMAN_I_WIDTH] = net->b[n];
    v[(net->d + 1) * INVMAN_I_WIDTH] = net->beta[n];
  }
}

static void invman_i_unpack_net(const invman_i_pack *pack, const invman_net *net) {
  double scale = sqrt((double)net->d);
  size_t n, k;
  for (n = 0; n < net->h; n++) {
    const double *v = invman_i_neuron(pack, n);
    for (k = 0; k < net->d; k++) net->w[n * net->d + k] = v[k * INVMAN_I_WIDTH] * scale;
    net->b[n] = v[net->d * INVMAN_I_WIDTH];
    net->beta[n] = v[(net->d + 1) * INVMAN_I_WIDTH];
  }
}

enum { INVMAN_I_CHUNK = 4096 }; /* points whose partial sums are kept at a time */

static double *invman_i_partial_take(invman_i_scope *scope, const invman_i_pack *net, size_t n) {
  return invman_i_doubles(scope, invman_i_groups(net->panels) * invman_i_min(n, INVMAN_I_CHUNK));
}

/* Runs a sweep over all neurons and adds the groups up in order: out_i = factor * sum. */
static void invman_i_sum_neurons(const invman_context *ctx, invman_i_task kernel, invman_i_sweep s, double factor,
                                 double *partial, double *out) {
  size_t panels = invman_i_swept(&s)->panels, groups = invman_i_groups(panels), n = s.x.n, done, i, g;
  invman_i_points all = s.x;
  s.group = invman_i_group(panels);
  s.out = partial;
  for (done = 0; done < n; done += s.x.n) {
    s.x = invman_i_slice(&all, done, invman_i_min(INVMAN_I_CHUNK, n - done));
    invman_i_parallel(ctx, groups, kernel, &s, (double)s.x.n * (double)s.net->h * (double)(all.d + 2));
    for (i = 0; i < s.x.n; i++) {
      double sum = 0;
      for (g = 0; g < groups; g++) sum += partial[g * s.x.n + i];
      out[done + i] = factor * sum;
    }
  }
}

/* f at points; partial is scratch, and so is narrow (2): sums in single precision, NULL: in double. */
static void invman_i_eval_points(const invman_context *ctx, const invman_i_pack *net, const invman_i_pack *narrow,
                                 invman_i_points x, double *partial, double *f) {
  invman_i_sweep s;
  memset(&s, 0, sizeof s);
  s.net = net;
  s.narrow = narrow;
  s.x = x;
  invman_i_sum_neurons(ctx, narrow ? invman_i_eval_single(ctx) : invman_i_eval(ctx), s, sqrt(2.0) / (double)net->h,
                       partial, f);
}

/* grad = sum r x~ over the active neurons, or += that. */
static void invman_i_gradient_points(const invman_context *ctx, const invman_i_pack *net, const invman_i_pack *narrow,
                                     invman_i_points x, const double *r, int add, invman_i_pack *grad) {
  invman_i_sweep s;
  memset(&s, 0, sizeof s);
  s.net = net;
  s.grad = grad;
  s.narrow = narrow;
  s.x = x;
  s.r = r;
  s.add = add;
  s.group = invman_i_group(invman_i_swept(&s)->panels);
  invman_i_parallel(ctx, invman_i_groups(invman_i_swept(&s)->panels),
                    narrow ? invman_i_gradient_single(ctx) : invman_i_gradient(ctx), &s,
                    (double)x.n * (double)net->h * 2 * (double)(x.d + 1));
}

invman_status invman_net_eval(const invman_context *ctx, const invman_net *net, const double *x, size_t n, double *f) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_pack pack;
  double *partial;
  invman_status status = invman_i_check_net(ctx, net);
  if (status < 0) return status;
  if (!x || !f) return invman_i_bad(ctx, "net_eval: x or f is NULL");
  if (n == 0) return INVMAN_OK;
  if (invman_i_mul(n, net->d) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "net_eval: n*d overflows", "", 0);
  status = invman_i_check_finite(ctx, x, n * net->d, "net_eval: x is not finite");
  if (status < 0) return status;
  pack = invman_i_pack_take(&scope, net->h, net->d);
  partial = invman_i_partial_take(&scope, &pack, n);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_pack_net(net, &pack);
  invman_i_eval_points(ctx, &pack, NULL, invman_i_points_of(x, NULL, n, net->d), partial, f);
  scope.status = invman_i_check_result(ctx, f, n, "net_eval: f is not finite");
  return invman_i_close(&scope);
}

static invman_status invman_i_check_rates(const invman_context *ctx, const invman_net *grad) {
  invman_status status = invman_i_check_finite(ctx, grad->w, grad->h * grad->d, "net_gradient: w's is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, grad->b, grad->h, "net_gradient: b's is not finite");
  if (status == INVMAN_OK)
    status = invman_i_check_finite(ctx, grad->beta, grad->h, "net_gradient: beta's is not finite");
  if (status == INVMAN_OK) return status;
  memset(grad->w, 0, grad->h * grad->d * sizeof(double));
  memset(grad->b, 0, grad->h * sizeof(double));
  memset(grad->beta, 0, grad->h * sizeof(double));
  return status;
}

invman_status invman_net_gradient(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                  const double *r, invman_net *grad) {
  invman_i_scope scope = invman_i_open(ctx), result = invman_i_open(ctx);
  invman_i_pack pack, rates;
  invman_net made;
  size_t k, j;
  double factor;
  invman_status status = invman_i_check_net(ctx, net);
  if (status < 0) return status;
  if (!grad || (n > 0 && (!x || !r))) return invman_i_bad(ctx, "net_gradient: x, r or grad is NULL");
  if (grad->w && (grad->h != net->h || grad->d != net->d || !grad->b || !grad->beta))
    return invman_i_bad(ctx, "net_gradient: grad has another shape than the network");
  if (invman_i_mul(n, net->d) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "net_gradient: n*d overflows", "", 0);
  status = invman_i_check_finite(ctx, x, n * net->d, "net_gradient: x is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, r, n, "net_gradient: r is not finite");
  if (status < 0) return status;

  pack = invman_i_pack_take(&scope, net->h, net->d);
  rates = invman_i_pack_take(&scope, net->h, net->d);
  made = *grad;
  if (scope.status == INVMAN_OK && !grad->w && !invman_i_net_take(&result, net->h, net->d, &made))
    scope.status = invman_i_close(&result);
  if (scope.status < 0) return invman_i_close(&scope);

  invman_i_pack_net(net, &pack);
  invman_i_gradient_points(ctx, &pack, NULL, invman_i_points_of(x, NULL, n, net->d), r, 0, &rates);
  factor = sqrt(2.0) / (double)net->h;
  for (k = 0; k < net->h; k++) {
    const double *g = invman_i_neuron(&rates, k);
    for (j = 0; j < net->d; j++)
      made.w[k * net->d + j] = factor * net->beta[k] * sqrt((double)net->d) * g[j * INVMAN_I_WIDTH];
    made.b[k] = factor * net->beta[k] * g[net->d * INVMAN_I_WIDTH];
    made.beta[k] = factor * g[(net->d + 1) * INVMAN_I_WIDTH];
  }
  scope.status = invman_i_check_rates(ctx, &made);
  if (scope.status < 0) invman_i_close(&result);
  else *grad = made;
  return invman_i_close(&scope);
}

static void invman_i_add_squares(const double *w, size_t stride, size_t d, size_t d_par, double scale, double sum[2]) {
  size_t k;
  for (k = 0; k < d; k++) sum[k >= d_par] += (scale * w[k * stride]) * (scale * w[k * stride]);
}

/* Lambda of a network's weights, or of a pack's of its shape; squares that are no numbers are taken again, of weights
   below 1. */
static double invman_i_lambda(const invman_net *net, const invman_i_pack *pack, size_t d_par) {
  size_t h = net->h, d = net->d, stride = pack ? INVMAN_I_WIDTH : 1, n, k;
  double sum[2], scale = 1, largest = 0;
  if (d_par == 0 || d_par >= d) return 0;
  for (;;) {
    sum[0] = sum[1] = 0;
    for (n = 0; n < h; n++)
      invman_i_add_squares(pack ? invman_i_neuron(pack, n) : net->w + n * d, stride, d, d_par, scale, sum);
    if (scale != 1 || (sum[0] + sum[1] > 1e-250 && sum[0] + sum[1] < 1e300)) break;
    for (n = 0; n < h; n++)
      for (k = 0; k < d; k++)
        largest = fmax(largest, fabs((pack ? invman_i_neuron(pack, n) : net->w + n * d)[k * stride]));
    if (!(largest > 0 && largest <= DBL_MAX)) return 0;
    scale = invman_i_unit_of(largest);
  }
  return sum[0] > 0 ? sqrt((double)(d - d_par) / (double)d_par * (sum[0] / sum[1])) : 0;
}

double invman_amplification(const invman_net *net, size_t d_par) {
  return net && net->w ? invman_i_lambda(net, NULL, d_par) : 0;
}

void invman_neuron_vectors(const invman_net *net, double *z) {
  size_t n, k;
  if (!net || !net->w || !net->b || !z) return;
  for (n = 0; n < net->h; n++) {
    const double *w = net->w + n * net->d;
    double square = 0, largest = 0, scale;
    int exponent = 0;
    for (k = 0; k < net->d; k++) largest = fmax(largest, fabs(w[k]));
    (void)frexp(largest, &exponent); /* squares of weights below 1 */
    for (k = 0; k < net->d; k++) square += ldexp(w[k], -exponent) * ldexp(w[k], -exponent);
    scale = -sqrt((double)net->d) * ldexp(net->b[n], -exponent);
    for (k = 0; k < net->d; k++) z[n * net->d + k] = square > 0 ? scale * (ldexp(w[k], -exponent) / square) : HUGE_VAL;
  }
}

/* ================================================================================================== >>ntk
   h^2 Theta(x,z) = 2 sum_n 1[z_n(x)>0] 1[z_n(z)>0] (z_n(x) z_n(z) + beta_n^2 (x.z/d + 1)). These are two products of
   rank h, of the features max(0, z_n) and beta_n 1[z_n>0]. They are computed for one tile of points and one block of
   neurons at a time. */

typedef struct invman_i_held {
  size_t n, i;
  double gate;
  double z; /* of the trial network, to the bit as the sweeps see it: next to zero, its sign is rounding's */
} invman_i_held;

enum { INVMAN_I_GRAM_TILE = 1024, INVMAN_I_GRAM_WIDTH = 256 }; /* points on a tile's side, neurons in a block */

/* What tiles are made of, and room for one. */
typedef struct invman_i_gram {
  const invman_i_pack *net;
  int part;
  size_t tile;                 /* points there is memory for */
  double *value[2], *slope[2]; /* (tile, width) features of the tile's rows and columns */
  double *slopes;              /* (tile, tile) product of the slopes */
  invman_i_gemm gemm;
  const invman_i_held *held; /* mean gates in place of plain ones, by neuron; */
  const size_t *where;       /* the place of their points in the list */
  size_t held_count;
} invman_i_gram;

/* A side of a tile: its points, and their features in one block of neurons after another. */
typedef struct invman_i_features {
  const invman_i_pack *net;
  invman_i_points x;
  size_t offset;         /* of its first point among all */
  size_t held;           /* where the next block's held gates begin in their list */
  size_t first, last;    /* the block's panels */
  double *value, *slope; /* (n, GRAM_WIDTH) */
} invman_i_features;

enum { INVMAN_I_FEATURE_POINTS = 16 }; /* per task */

INVMAN_I_INLINE void invman_i_fill_features_body(size_t task, void *arg, const int L) {
  const invman_i_features *s = (const invman_i_features *)arg;
  const int J = INVMAN_I_PANELS(L);
  size_t d = s->net->d, i, q, end = invman_i_min((task + 1) * INVMAN_I_FEATURE_POINTS, s->x.n);
  int k, j;
  for (i = task * INVMAN_I_FEATURE_POINTS; i < end; i += INVMAN_I_POINTS) {
    const void *x[INVMAN_I_POINTS];
    invman_i_few_points(&s->x, i, x);
    for (q = s->first; q < s->last; q += (size_t)J) {
      invman_i_tile v;
      invman_i_sums z;
      invman_i_tile_of(v, s->net, q, J);
      invman_i_dot(z, v, d, x, 0, J, L);
      for (k = 0; k < INVMAN_I_POINTS && i + (size_t)k < end; k++) {
        size_t at = (i + (size_t)k) * INVMAN_I_GRAM_WIDTH + (q - s->first) * INVMAN_I_WIDTH;
        for (j = 0; j < J; j++) {
          invman_i_lanes *value = (invman_i_lanes *)(void *)(s->value + at) + j;
          invman_i_lanes *slope = (invman_i_lanes *)(void *)(s->slope + at) + j;
          invman_i_gate(value, &z[k][j], &z[k][j], L);
          invman_i_gate(slope, &z[k][j], invman_i_row(s->net, q + (size_t)j, d + 1), L);
        }
      }
    }
  }
}
INVMAN_I_KERNEL(invman_i_fill_features)

/* Features of held neurons: the mean gate in place of the plain one. Both lists are in the order of neurons. */
static void invman_i_hold_features(const invman_i_gram *s, invman_i_features *f) {
  size_t d = f->net->d;
  for (; f->held < s->held_count && s->held[f->held].n < f->last * INVMAN_I_WIDTH; f->held++) {
    const invman_i_held *h = &s->held[f->held];
    size_t row = s->where[h->i] - f->offset;
    size_t at = row * INVMAN_I_GRAM_WIDTH + h->n - f->first * INVMAN_I_WIDTH;
    if (row >= f->x.n) continue; /* of another tile */
    f->value[at] = h->gate * h->z;
    f->slope[at] = h->gate * invman_i_neuron(f->net, h->n)[(d + 1) * INVMAN_I_WIDTH];
  }
}

/* The features of the next block of neurons; 0 after the last one. */
static int invman_i_next_features(const invman_context *ctx, const invman_i_gram *s, invman_i_features *f) {
  size_t n = f->x.n, panels = (size_t)INVMAN_I_GRAM_WIDTH / INVMAN_I_WIDTH;
  f->first = f->last;
  f->last = invman_i_min(f->first + panels, s->net->panels);
  if (f->first == f->last) return 0;
  invman_i_parallel(ctx, (n + INVMAN_I_FEATURE_POINTS - 1) / INVMAN_I_FEATURE_POINTS, invman_i_fill_features(ctx), f,
                    (double)n * (double)((f->last - f->first) * INVMAN_I_WIDTH) * (double)(f->net->d + 1));
  invman_i_hold_features(s, f);
  return 1;
}

static invman_status invman_i_gram_reserve(invman_i_gram *s, invman_i_scope *scope, size_t n) {
  size_t tile = invman_i_min(n, INVMAN_I_GRAM_TILE);
  int side;
  if (tile <= s->tile) return INVMAN_OK;
  s->tile = tile = invman_i_min(tile + tile / 4 + 16, INVMAN_I_GRAM_TILE);
  for (side = 0; side < 2; side++) {
    invman_i_give(scope, s->value[side]);
    invman_i_give(scope, s->slope[side]);
    s->value[side] = invman_i_doubles(scope, tile * INVMAN_I_GRAM_WIDTH);
    s->slope[side] = invman_i_doubles(scope, tile * INVMAN_I_GRAM_WIDTH);
  }
  invman_i_give(scope, s->slopes);
  invman_i_give(scope, s->gemm.a);
  invman_i_give(scope, s->gemm.b);
  s->slopes = invman_i_doubles(scope, tile * tile);
  s->gemm = invman_i_gemm_reserve(scope, tile, tile);
  return scope->status;
}

/* The side, 0 or 1, of a tile whose points begin at `offset`. */
static invman_i_features invman_i_features_of(const invman_i_gram *s, int side, const invman_i_points *x,
                                              size_t offset) {
  invman_i_features f;
  memset(&f, 0, sizeof f);
  f.net = s->net;
  f.x = invman_i_slice(x, offset, invman_i_min(s->tile, x->n - offset));
  f.offset = offset;
  f.value = s->value[side];
  f.slope = s->slope[side];
  return f;
}

static invman_i_matrix invman_i_features_plain(const invman_i_features *f, const double *feature) {
  return invman_i_plain(feature, f->x.n, (f->last - f->first) * INVMAN_I_WIDTH, INVMAN_I_GRAM_WIDTH);
}

/* A tile of K from its two sides; where they are the same, on the diagonal of K, its upper triangle. */
static void invman_i_gram_tile(const invman_context *ctx, const invman_i_gram *s, invman_i_features *rows,
                               invman_i_features *columns, double *K, size_t stride) {
  size_t n = rows->x.n, m = columns->x.n, d = s->net->d, i, j;
  double scale = 2 / ((double)s->net->h * (double)s->net->h);
  int symmetric = rows == columns;
  for (i = 0; i < n; i++) {
    memset(K + i * stride, 0, m * sizeof *K);
    memset(s->slopes + i * s->tile, 0, m * sizeof *K);
  }

  while (invman_i_next_features(ctx, s, rows)) {
    if (!symmetric) invman_i_next_features(ctx, s, columns);
    if (s->part != INVMAN_NTK_FIRST_LAYER)
      invman_i_product_add(ctx, &s->gemm, scale, invman_i_features_plain(rows, rows->value),
                           invman_i_transposed(invman_i_features_plain(columns, columns->value)), K, stride, symmetric);
    if (s->part != INVMAN_NTK_LAST_LAYER)
      invman_i_product_add(ctx, &s->gemm, scale, invman_i_features_plain(rows, rows->slope),
                           invman_i_transposed(invman_i_features_plain(columns, columns->slope)), s->slopes, s->tile,
                           symmetric);
  }

  if (s->part == INVMAN_NTK_LAST_LAYER) return;
  for (i = 0; i < n; i++)
    for (j = symmetric ? i : 0; j < m; j++) {
      double xz = invman_i_inner(invman_i_point(&rows->x, i), invman_i_point(&columns->x, j), d);
      K[i * stride + j] += (xz / (double)d + 1) * s->slopes[i * s->tile + j];
    }
}

/* K (n,m) of the points x and z; z NULL: of x with themselves. */
static void invman_i_gram_points(const invman_context *ctx, const invman_i_gram *s, const invman_i_points *x,
                                 const invman_i_points *z, double *K) {
  size_t n = x->n, m = z ? z->n : n, i, j;
  for (i = 0; i < n; i += s->tile)
    for (j = z ? 0 : i; j < m; j += s->tile) {
      invman_i_features rows = invman_i_features_of(s, 0, x, i), columns = invman_i_features_of(s, 1, z ? z : x, j);
      invman_i_gram_tile(ctx, s, &rows, !z && i == j ? &rows : &columns, K + i * m + j, m);
    }
  if (z) return;
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++) K[i * n + j] = K[j * n + i];
}

static invman_status invman_i_check_points(const invman_context *ctx, size_t d, const double *x, size_t n,
                                           const double *z, size_t m) {
  invman_status status = invman_i_check_finite(ctx, x, n * d, "ntk_gram: x is not finite");
  if (status == INVMAN_OK && z) status = invman_i_check_finite(ctx, z, m * d, "ntk_gram: z is not finite");
  return status;
}

/* The conditions that every Gram function sets on its arguments, except for the points' values. */
static invman_status invman_i_check_gram(const invman_context *ctx, size_t d, int part, const double *x, size_t n,
                                         const double *z, size_t m, const double *K) {
  size_t rows = z ? invman_i_max(n, m) : n;
  if (part < INVMAN_NTK_ALL || part > INVMAN_NTK_LAST_LAYER) return invman_i_bad(ctx, "ntk_gram: unknown part");
  if (d == 0 || !x || !K) return invman_i_bad(ctx, "ntk_gram: d is 0, or x or K is NULL");
  if (invman_i_mul(invman_i_mul(n, z ? m : n), sizeof(double)) == SIZE_MAX ||
      invman_i_mul(invman_i_mul(rows, d), sizeof(double)) == SIZE_MAX)
    return invman_i_fail(ctx, INVMAN_E_SIZE, "ntk_gram: sizes too large: their product overflows", "", 0);
  return INVMAN_OK;
}

invman_status invman_ntk_gram(const invman_context *ctx, const invman_net *net, int part, const double *x, size_t n,
                              const double *z, size_t m, double *K) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_points rows, columns;
  invman_i_pack pack;
  invman_i_gram gram;
  invman_status status = invman_i_check_net(ctx, net);
  if (status == INVMAN_OK) status = invman_i_check_gram(ctx, net->d, part, x, n, z, m, K);
  if (status == INVMAN_OK) status = invman_i_check_points(ctx, net->d, x, n, z, m);
  if (status < 0 || n == 0 || (z && m == 0)) return status;
  memset(&gram, 0, sizeof gram);
  pack = invman_i_pack_take(&scope, net->h, net->d);
  invman_i_gram_reserve(&gram, &scope, z ? invman_i_max(n, m) : n);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_pack_net(net, &pack);
  gram.net = &pack;
  gram.part = part;
  rows = invman_i_points_of(x, NULL, n, net->d);
  columns = invman_i_points_of(z, NULL, m, net->d);
  invman_i_gram_points(ctx, &gram, &rows, z ? &columns : NULL, K);
  scope.status = invman_i_check_result(ctx, K, n * (z ? m : n), "ntk_gram: the kernel is not finite");
  return invman_i_close(&scope);
}

/* ---- infinitely many neurons
   h E[f(x) f(z)] = (sine + (pi - theta) q)/pi is the last layer's kernel, (pi - theta) q/pi the first one's, where
   q = x~.z~ = x.z/d + 1, x~ = (x/sqrt d, 1), theta is the angle between x~ and z~ and sine |x~| |z~| times its sine. */

typedef struct invman_i_infinite {
  const double *x, *z;       /* the points of rows (n) and of columns (m) */
  size_t n, m, d, wide;      /* wide: columns per task */
  int symmetric, turned;     /* turned: the caller's K is the transpose, (m,n) */
  double share, sine, angle; /* 1/d; K = sine sin theta |x~| |z~| + angle (1 - theta/pi) q */
  size_t layers;             /* more than one, or a slope: see invman_i_deep */
  int what;
  double last, inner, middle; /* K = last k + inner k' T, T <- middle S + k' T */
  double *K;
} invman_i_infinite;

/* What the block makes of two points: K, or its derivative by x~.z~, or twice that by |x~|^2. */
enum { INVMAN_I_VALUE = 0, INVMAN_I_SLOPE = 1, INVMAN_I_SLOPE_NORM = 2 };

enum { INVMAN_I_INFINITE_ROWS = 192, INVMAN_I_INFINITE_COLUMNS = 384, INVMAN_I_INFINITE_LINE = 1536 }; /* per task */
enum { INVMAN_I_INFINITE_SLICE = 64, INVMAN_I_INFINITE_THIN = 16 };

/* A task's memory, 51 kB of stack: of a panel of columns a slice, the products with all rows, and what is |x~|^2. */
typedef struct invman_i_infinite_room {
  invman_i_lanes panel[INVMAN_I_INFINITE_SLICE * INVMAN_I_TILE_LANES(8)];
  invman_i_lanes dots[INVMAN_I_INFINITE_ROWS * INVMAN_I_TILE_LANES(8)], norm[INVMAN_I_TILE_LANES(8)];
  double row[INVMAN_I_INFINITE_ROWS];
} invman_i_infinite_room;

/* 1 - theta/pi, theta in [0,pi] the angle of the vector (q, sine), sine >= 0; where theta is near pi, to 4e-16 of
   itself. The smaller side over the larger one is the tangent of at most pi/4, and beyond pi/8 that of the angle to
   pi/4 is taken: |t| < tan(pi/8), where atan(t)/(pi t) is this polynomial of t^2 to 1.2e-18, 7e-17 with its
   coefficients rounded (minimax, by Remez exchange). */
INVMAN_I_INLINE void invman_i_angle(const invman_i_lanes *sine, const invman_i_lanes *q, invman_i_lanes *out,
                                    const int L) {
  static const double series[] = {0.3183098861837907,   -0.10610329539459624,  0.06366197723657585,
                                  -0.04547284086335385, 0.035367763990574876,  -0.02893722395488854,
                                  0.02448455204892296,  -0.021208957202840478, 0.01861204922447238,
                                  -0.01603094620477307, 0.012093824115972509,  -0.005677270597712028};
  enum { LAST = INVMAN_I_COUNT(series) - 1 };
  const double tan_eighth = 0.41421356237309504880;
  invman_i_lanes side, steep, low, high, wide, t, u, v, a, b;
  int i;
#define INVMAN_I_OP(piece, V, M)                                                   \
  side.piece = INVMAN_I_CHOICE(q->piece, q->piece, -q->piece, V, M);               \
  steep.piece = sine->piece - side.piece;                                          \
  low.piece = INVMAN_I_CHOICE(steep.piece, side.piece, sine->piece, V, M);         \
  high.piece = INVMAN_I_CHOICE(steep.piece, sine->piece, side.piece, V, M);        \
  wide.piece = low.piece - tan_eighth * high.piece;                                \
  t.piece = INVMAN_I_CHOICE(wide.piece, low.piece - high.piece, low.piece, V, M) / \
            INVMAN_I_CHOICE(wide.piece, low.piece + high.piece, high.piece, V, M); \
  u.piece = t.piece * t.piece;                                                     \
  v.piece = u.piece * u.piece;                                                     \
  a.piece = series[LAST - 1] + invman_i_zero.piece;                                \
  b.piece = series[LAST] + invman_i_zero.piece;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  INVMAN_I_UNROLL
  for (i = LAST - 3; i >= 0; i -= 2) {
#define INVMAN_I_OP(piece, V, M)           \
  a.piece = a.piece * v.piece + series[i]; \
  b.piece = b.piece * v.piece + series[i + 1];
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  }
#define INVMAN_I_OP(piece, V, M)                                                                                       \
  a.piece = (a.piece + b.piece * u.piece) * t.piece + INVMAN_I_POSITIVE(wide.piece, 0.25 + invman_i_zero.piece, V, M); \
  a.piece = INVMAN_I_CHOICE(steep.piece, 0.5 - a.piece, a.piece, V, M);                                                \
  out->piece = INVMAN_I_CHOICE(q->piece, 1.0 - a.piece, a.piece, V, M);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* |x~| |z~| sin theta of nearly parallel vectors, from the part of the longer one that is orthogonal to the other: the
   difference of squares would be rounding. Exactly 0 where x = z. */
INVMAN_I_INLINE double invman_i_small_sine(const double *x, const double *z, size_t d, double share, double xx,
                                           double q, double zz, const int L) {
  invman_i_lanes sum = invman_i_zero;
  double c, rest = 0;
  size_t k;
  if (zz < xx) {
    const double *swap = x;
    x = z;
    z = swap;
    xx = zz;
  }
  c = q / xx;
  for (k = 0; k + INVMAN_I_WIDTH <= d; k += INVMAN_I_WIDTH) {
    invman_i_lanes xs = invman_i_load(x + k, L), r = invman_i_load(z + k, L);
    invman_i_add_scaled(&r, -c, &xs, L);
    invman_i_add_product(&sum, &r, &r, L);
  }
  for (; k < d; k++) rest += (z[k] - c * x[k]) * (z[k] - c * x[k]);
  return sqrt(xx * ((rest + invman_i_sum_lanes(&sum)) * share + (1 - c) * (1 - c)));
}

/* Layer by layer: S_1 = q, k = (sine + (pi - theta) S)/pi, k' = 1 - theta/pi, S <- k + 1, T_1 = S_1, T <- S + k' T. Of
   nearly equal points the sine is what is left of large numbers. So its square is carried along, as is the squared
   distance e = |x|^2 + |z|^2 - 2 S of their images: with g = k - S >= 0 the next ones are sine^2 - g (k + S) + e - 2g
   and e - 2g, and nothing large cancels. With them, where a slope is wanted, go the derivatives by S_1 (_q) and by
   |x~|^2 (_a): dk/dS = k', dk'/dS = 1/(pi sine), and those by |x|^2 follow, as k and k' are homogeneous in x. At theta
   = 0 there is a kink, and the slope is 0. */
INVMAN_I_INLINE void invman_i_deep(const invman_i_infinite *s, double xx, const invman_i_lanes *zz,
                                   const invman_i_lanes *q, const invman_i_lanes *sine_1, invman_i_lanes *out,
                                   const int slopes, const int L) {
  const double share = 0.31830988618379067154; /* 1/pi */
  invman_i_lanes S, T, sine, square, e, k, g, gate, turn, minus, S_q, S_a, T_q, T_a, steep;
  size_t layer;
#define INVMAN_I_OP(piece, V, M)                \
  S.piece = q->piece;                           \
  T.piece = q->piece;                           \
  square.piece = sine_1->piece * sine_1->piece; \
  S_q.piece = 1.0 + invman_i_zero.piece;        \
  T_q.piece = 1.0 + invman_i_zero.piece;        \
  S_a.piece = invman_i_zero.piece;              \
  T_a.piece = invman_i_zero.piece;              \
  k.piece = xx * zz->piece;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  invman_i_set(&sine, sine_1, L);
  invman_i_root(&g, &k, L);
#define INVMAN_I_OP(piece, V, M)                                                                \
  e.piece = xx - zz->piece;                                                                     \
  e.piece = e.piece * e.piece / (xx + zz->piece + 2.0 * g.piece);                               \
  e.piece += 2.0 * square.piece / (g.piece + INVMAN_I_CHOICE(S.piece, S.piece, g.piece, V, M)); \
  e.piece = INVMAN_I_CHOICE(S.piece, e.piece, xx + zz->piece - 2.0 * S.piece, V, M);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  for (layer = 1;; layer++) {
    double half = 0.5 / (xx + (double)(layer - 1));
#define INVMAN_I_OP(piece, V, M) minus.piece = -S.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    invman_i_angle(&sine, &minus, &turn, L); /* theta/pi */
    if (slopes) {
#define INVMAN_I_OP(piece, V, M)                                                             \
  steep.piece = INVMAN_I_POSITIVE(sine.piece, share / sine.piece, V, M);                     \
  gate.piece = 1.0 - turn.piece;                                                             \
  T_q.piece = gate.piece * T_q.piece + T.piece * S_q.piece * steep.piece;                    \
  T_a.piece = gate.piece * T_a.piece + T.piece * (S_a.piece - S.piece * half) * steep.piece; \
  S_q.piece = gate.piece * S_q.piece;                                                        \
  S_a.piece = gate.piece * S_a.piece + share * sine.piece * half;
      INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    }
#define INVMAN_I_OP(piece, V, M)                       \
  g.piece = share * sine.piece - turn.piece * S.piece; \
  k.piece = S.piece + g.piece;                         \
  T.piece = (1.0 - turn.piece) * T.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    if (layer == s->layers) break;
#define INVMAN_I_OP(piece, V, M)                                      \
  e.piece -= 2.0 * g.piece;                                           \
  square.piece += e.piece - g.piece * (k.piece + S.piece);            \
  square.piece = INVMAN_I_POSITIVE(square.piece, square.piece, V, M); \
  S.piece = 1.0 + k.piece;                                            \
  T.piece += s->middle * S.piece;                                     \
  T_q.piece += s->middle * S_q.piece;                                 \
  T_a.piece += s->middle * S_a.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    invman_i_root(&sine, &square, L);
  }
  if (!slopes) {
#define INVMAN_I_OP(piece, V, M) out->piece = s->last * k.piece + s->inner * T.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    return;
  }
  if (s->what == INVMAN_I_SLOPE_NORM) {
#define INVMAN_I_OP(piece, V, M) out->piece = 2.0 * (s->last * S_a.piece + s->inner * T_a.piece);
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  } else {
#define INVMAN_I_OP(piece, V, M) out->piece = s->last * S_q.piece + s->inner * T_q.piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  }
  invman_i_gate(out, sine_1, out, L);
}

/* dot/d + 1, in one way for all: then q = |x~|^2 to the bit where x = z. */
INVMAN_I_INLINE void invman_i_lift(const invman_i_lanes *dot, double share, invman_i_lanes *q, const int L) {
#define INVMAN_I_OP(piece, V, M) q->piece = dot->piece * share + 1.0;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* The products of row i with a panel of columns become K's. */
INVMAN_I_INLINE void invman_i_infinite_row(const invman_i_infinite *s, size_t i, double xx, size_t left, size_t count,
                                           const invman_i_lanes *zz, invman_i_lanes *row, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  invman_i_lanes q[INVMAN_I_TILE_LANES(8)], sine[INVMAN_I_TILE_LANES(8)], distant[INVMAN_I_TILE_LANES(8)];
  invman_i_lanes all = invman_i_zero;
  int j;
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) {
    invman_i_lanes square;
    invman_i_lift(&row[j], s->share, &q[j], L);
#define INVMAN_I_OP(piece, V, M)                                                                   \
  sine[j].piece = xx * zz[j].piece;                                                                \
  square.piece = sine[j].piece - q[j].piece * q[j].piece;                                          \
  distant[j].piece = square.piece - 0.01 * sine[j].piece;                                          \
  square.piece = INVMAN_I_CHOICE(distant[j].piece, square.piece, 1.0 + invman_i_zero.piece, V, M); \
  all.piece += INVMAN_I_POSITIVE(distant[j].piece, 1.0 + invman_i_zero.piece, V, M);
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
    invman_i_root(&sine[j], &square, L);
  }
  if (invman_i_sum_lanes(&all) < J * INVMAN_I_WIDTH) {
    size_t c;
    for (c = s->symmetric && i > left ? i - left : 0; c < count; c++) {
      size_t at = c / INVMAN_I_WIDTH, l = c % INVMAN_I_WIDTH;
      if (!(distant[at].d[l] > 0))
        sine[at].d[l] = invman_i_small_sine(s->x + i * s->d, s->z + (left + c) * s->d, s->d, s->share, xx, q[at].d[l],
                                            zz[at].d[l], L);
    }
  }
  if (s->what != INVMAN_I_VALUE || s->layers > 1) {
    for (j = 0; j < J; j++) {
      if (s->what == INVMAN_I_VALUE) invman_i_deep(s, xx, &zz[j], &q[j], &sine[j], &row[j], 0, L);
      else invman_i_deep(s, xx, &zz[j], &q[j], &sine[j], &row[j], 1, L);
    }
    return;
  }
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) {
    invman_i_lanes angle;
    invman_i_angle(&sine[j], &q[j], &angle, L);
#define INVMAN_I_OP(piece, V, M) row[j].piece = s->sine * sine[j].piece + s->angle * angle.piece * q[j].piece;
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  }
}

/* Coordinates from.. (k) of points, one a lane; where there are fewer points than lanes, the last one again. */
INVMAN_I_INLINE void invman_i_turn_points(const double *x, size_t d, size_t count, size_t from, size_t k,
                                          invman_i_lanes *panel, const int L) {
  const size_t J = INVMAN_I_TILE_LANES(L);
  size_t j, l, c;
  for (j = 0; j < J; j++) {
    const double *at = x + j * INVMAN_I_WIDTH * d + from;
    invman_i_lanes *out = panel + j;
    if ((j + 1) * INVMAN_I_WIDTH <= count) {
      for (l = 0; l < k; l++, at++, out += J) {
        INVMAN_I_UNROLL
        for (c = 0; c < INVMAN_I_WIDTH; c++) out->d[c] = at[c * d];
      }
    } else {
      for (c = 0; c < INVMAN_I_WIDTH; c++) {
        at = x + invman_i_min(j * INVMAN_I_WIDTH + c, count - 1) * d + from;
        for (l = 0; l < k; l++) out[l * J].d[c] = at[l];
      }
    }
  }
}

/* norm += a slice's squares, summed in the order of add_dots: there and here a slice's sum begins at 0, so that
   rounding grows with the slice and not with d. */
INVMAN_I_INLINE void invman_i_add_norms(const invman_i_lanes *panel, size_t k, invman_i_lanes *norm, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  invman_i_lanes sum[INVMAN_I_TILE_LANES(8)];
  size_t l;
  int j;
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) invman_i_set(&sum[j], &invman_i_zero, L);
  for (l = 0; l < k; l++, panel += J) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_add_product(&sum[j], &panel[j], &panel[j], L);
  }
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) invman_i_add_scaled(&norm[j], 1.0, &sum[j], L);
}

/* dots += the products of a slice of R points x with the panel's. */
INVMAN_I_INLINE void invman_i_add_dots(const double *const *x, const invman_i_lanes *panel, size_t k,
                                       invman_i_lanes *dots, const int R, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  invman_i_lanes sum[INVMAN_I_TILE_ROWS(8)][INVMAN_I_TILE_LANES(8)];
  size_t l;
  int i, j;
  INVMAN_I_UNROLL
  for (i = 0; i < R; i++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_set(&sum[i][j], &invman_i_zero, L);
  }
  for (l = 0; l < k; l++, panel += J) {
    INVMAN_I_UNROLL
    for (i = 0; i < R; i++) {
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) invman_i_add_scaled(&sum[i][j], x[i][l], &panel[j], L);
    }
  }
  INVMAN_I_UNROLL
  for (i = 0; i < R; i++) {
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) invman_i_add_scaled(&dots[i * J + j], 1.0, &sum[i][j], L);
  }
}

/* All rows of a task with a slice of its panel; what a last tile has too much is its last row again. */
INVMAN_I_INLINE void invman_i_infinite_dots(const invman_i_infinite *s, size_t top, size_t rows, size_t from, size_t k,
                                            invman_i_infinite_room *room, const int R, const int L) {
  size_t i, r;
  for (i = 0; i < rows; i += (size_t)R) {
    const double *x[INVMAN_I_TILE_ROWS(8)];
    for (r = 0; r < (size_t)R; r++) x[r] = s->x + (top + invman_i_min(i + r, rows - 1)) * s->d + from;
    invman_i_add_dots(x, room->panel, k, room->dots + i * (size_t)INVMAN_I_TILE_LANES(L), R, L);
  }
}

/* K's rows, or its columns, or both, of which each half of a symmetric K is made. */
INVMAN_I_INLINE void invman_i_infinite_put(const invman_i_infinite *s, size_t top, size_t rows, size_t left,
                                           size_t count, const invman_i_infinite_room *room, const int L) {
  const size_t S = (size_t)INVMAN_I_TILE_LANES(L) * INVMAN_I_WIDTH;
  const double *value = room->dots->d;
  size_t i, c;
  for (i = 0; i < rows && !s->turned; i++) {
    size_t first = s->symmetric && top + i > left ? top + i - left : 0;
    if (first < count)
      memcpy(s->K + (top + i) * s->m + left + first, value + i * S + first, (count - first) * sizeof *value);
  }
  for (c = 0; c < count && (s->turned || s->symmetric); c++) {
    double *to = s->K + (left + c) * s->n + top;
    size_t end = s->turned ? rows : left + c > top ? invman_i_min(rows, left + c - top) : 0;
    for (i = 0; i < end; i++) to[i] = value[i * S + c];
  }
}

/* A panel of columns with the task's rows, slice by slice. */
INVMAN_I_INLINE void invman_i_infinite_panel(const invman_i_infinite *s, size_t top, size_t rows, size_t left,
                                             size_t count, invman_i_infinite_room *room, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  const size_t R = rows == 1 ? 1 : INVMAN_I_TILE_ROWS(L);
  size_t d = s->d, from, k, i;
  int j;
  memset(room->norm, 0, sizeof room->norm);
  memset(room->dots, 0, (rows + R - 1) / R * R * (size_t)J * sizeof *room->dots);
  for (from = 0; from < d; from += k) {
    k = invman_i_min(d - from, INVMAN_I_INFINITE_SLICE);
    invman_i_turn_points(s->z + left * d, d, count, from, k, room->panel, L);
    invman_i_add_norms(room->panel, k, room->norm, L);
    if (rows == 1) invman_i_infinite_dots(s, top, rows, from, k, room, 1, L);
    else invman_i_infinite_dots(s, top, rows, from, k, room, INVMAN_I_TILE_ROWS(L), L);
  }
  for (j = 0; j < J; j++) invman_i_lift(&room->norm[j], s->share, &room->norm[j], L);
  for (i = 0; i < rows; i++)
    invman_i_infinite_row(s, top + i, room->row[i], left, count, room->norm, room->dots + i * (size_t)J, L);
  invman_i_infinite_put(s, top, rows, left, count, room, L);
}

/* |x~|^2 of a task's rows, as those of its columns. */
INVMAN_I_INLINE void invman_i_infinite_norms(const invman_i_infinite *s, size_t top, size_t rows,
                                             invman_i_infinite_room *room, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  const size_t S = (size_t)J * INVMAN_I_WIDTH;
  size_t i, from, k, count;
  int j;
  for (i = 0; i < rows; i += S) {
    count = invman_i_min(S, rows - i);
    memset(room->norm, 0, sizeof room->norm);
    for (from = 0; from < s->d; from += k) {
      k = invman_i_min(s->d - from, INVMAN_I_INFINITE_SLICE);
      invman_i_turn_points(s->x + (top + i) * s->d, s->d, count, from, k, room->panel, L);
      invman_i_add_norms(room->panel, k, room->norm, L);
    }
    for (j = 0; j < J; j++) invman_i_lift(&room->norm[j], s->share, &room->norm[j], L);
    memcpy(room->row + i, room->norm, count * sizeof *room->row);
  }
}

INVMAN_I_INLINE void invman_i_infinite_block_body(size_t task, void *arg, const int L) {
  const invman_i_infinite *s = (const invman_i_infinite *)arg;
  const size_t S = (size_t)INVMAN_I_TILE_LANES(L) * INVMAN_I_WIDTH;
  invman_i_infinite_room room;
  size_t across = (s->m + s->wide - 1) / s->wide, top = task / across * INVMAN_I_INFINITE_ROWS;
  size_t left = task % across * s->wide, end = invman_i_min(left + s->wide, s->m);
  size_t rows = invman_i_min(INVMAN_I_INFINITE_ROWS, s->n - top);
  if (s->symmetric && end <= top) return;
  invman_i_infinite_norms(s, top, rows, &room, L);
  for (; left < end; left += S)
    if (!s->symmetric || left + S > top)
      invman_i_infinite_panel(s, top, rows, left, invman_i_min(S, end - left), &room, L);
}
INVMAN_I_KERNEL(invman_i_infinite_block)

/* Whether x and z were: a point that is not finite leaves nothing finite in its row or column of K, so that one of each
   tells, for a d-th of what the points themselves would take. 0 times a number is 0, unless it is none. */
static int invman_i_infinite_finite(const double *K, size_t n, size_t m) {
  size_t i, line = m == 1 ? n : m;
  invman_i_lanes sum = invman_i_zero;
  double rest = 0;
  for (i = 0; i + INVMAN_I_WIDTH <= line; i += INVMAN_I_WIDTH) {
    invman_i_lanes value = invman_i_load(K + i, INVMAN_I_BASE);
    invman_i_add_scaled(&sum, 0.0, &value, INVMAN_I_BASE);
  }
  for (; i < line; i++) rest += 0.0 * K[i];
  for (i = 0; i < n && m > 1; i++) rest += 0.0 * K[i * m];
  return rest + invman_i_sum_lanes(&sum) == 0;
}

/* Whether no product of four coordinates overflows. */
static int invman_i_is_small(const double *x, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (!(fabs(x[i]) < 1e70)) return 0;
  return 1;
}

/* K (n,m) of x and z, or its slopes; z NULL: of x with themselves, symmetric. What is not finite is not looked for. */
static void invman_i_infinite_gram(const invman_context *ctx, size_t d, size_t layers, int part, int what,
                                   const double *x, size_t n, const double *z, size_t m, double *K) {
  const double pi = 3.14159265358979323846;
  invman_i_infinite s;
  int swap = what == INVMAN_I_VALUE && z && m < n && m < INVMAN_I_INFINITE_THIN; /* lanes hold columns: the more, the */
  s.symmetric = !z;                                                              /* better */
  s.turned = swap && m > 1;                                                      /* one column is as well one row */
  s.x = swap ? z : x;
  s.z = swap || !z ? x : z;
  s.n = swap ? m : n;
  s.m = swap ? n : m;
  s.d = d;
  s.wide = s.n < INVMAN_I_INFINITE_THIN ? INVMAN_I_INFINITE_LINE : INVMAN_I_INFINITE_COLUMNS;
  s.share = 1 / (double)d;
  s.sine = part == INVMAN_NTK_FIRST_LAYER ? 0 : 1 / pi;
  s.angle = part == INVMAN_NTK_ALL ? 2 : 1;
  s.layers = layers;
  s.what = what;
  s.last = part != INVMAN_NTK_FIRST_LAYER;
  s.inner = part != INVMAN_NTK_LAST_LAYER;
  s.middle = part == INVMAN_NTK_ALL;
  s.K = K;
  invman_i_parallel(ctx, ((s.n - 1) / INVMAN_I_INFINITE_ROWS + 1) * ((s.m - 1) / s.wide + 1),
                    invman_i_infinite_block(ctx), &s,
                    (double)n * (double)m * ((double)d + 30 * (double)layers * (what == INVMAN_I_VALUE ? 1 : 2)));
}

invman_status invman_ntk_gram_deep(const invman_context *ctx, size_t d, size_t layers, int part, const double *x,
                                   size_t n, const double *z, size_t m, double *K) {
  invman_status status = invman_i_check_gram(ctx, d, part, x, n, z, m, K);
  if (status == INVMAN_OK && layers == 0) status = invman_i_bad(ctx, "ntk_gram: no layers");
  if (status < 0) return status;
  if (!z) m = n;
  if (n == 0 || m == 0) return invman_i_check_points(ctx, d, x, n, z, m);
  invman_i_infinite_gram(ctx, d, layers, part, INVMAN_I_VALUE, x, n, z, m, K);
  if (invman_i_infinite_finite(K, n, m) &&
      (n == 1 || m == 1 || (invman_i_is_small(x, n * d) && (!z || invman_i_is_small(z, m * d)))))
    return INVMAN_OK;
  status = invman_i_check_points(ctx, d, x, n, z, m);
  if (status < 0) memset(K, 0, n * m * sizeof *K);
  return status < 0 ? status : invman_i_check_result(ctx, K, n * m, "ntk_gram: the kernel is not finite");
}

invman_status invman_ntk_gram_infinite(const invman_context *ctx, size_t d, int part, const double *x, size_t n,
                                       const double *z, size_t m, double *K) {
  return invman_ntk_gram_deep(ctx, d, 1, part, x, n, z, m, K);
}

/* =========================================================================================================== >>hinge
   The hinge's margin step: dm/ds = Q g + c, solved exactly, event by event
     g_i = 1 where m_i < 1,   g_i = 0 where m_i > 1,   0 <= g_i <= 1 where m_i = 1

   Of all multipliers g that are allowed at a state, the flow takes those with the least 1/2 g'Qg + c'g. This is
   Filippov's solution of a gradient flow, the velocity of least norm. Between events every rate is constant. At an
   event the points at their margin solve this box-constrained problem by an active-set method. A point at a bound whose
   rate has the wrong sign is driven off the bound, while the free multipliers answer so that their points' rates stay
   zero. The drive ends when the point's rate vanishes (its multiplier is then free) or when its multiplier reaches the
   other bound (the point then leaves). If a free multiplier reaches a bound first, it stays there and the drive goes
   on.

   The argument against cycling: every drive lowers the objective, so no active set comes back, and no pivoting rule
   against cycles is needed. This holds however many multipliers meet a bound at once. A free multiplier that is already
   at a bound stops the drive at length 0 and is no longer free; there are finitely many of these, and after the last
   one the driven point has a rate to lose and room to lose it in. A cycle that rounding makes would end at a cap on the
   number of drives, as NOT_CONVERGED. */

/* ---- notation. In the text and in the names: n points; m_i a margin; g_i its multiplier; dm/ds its rate; Q = scale
   (y y' o K) the kernel with the labels' signs; c the drift. A point is below its margin (g = 1), above it (g = 0), or
   at its margin: there its multiplier is at a bound, 0 or 1, or free, and a point whose multiplier is free slides along
   its margin: its rate is 0. The free points are the active set's complement, whose block of Q is kept factored. */

enum { INVMAN_I_BELOW, INVMAN_I_ABOVE, INVMAN_I_AT_BOUND, INVMAN_I_FREE }; /* a point's state */

/* The columns of a kernel that is not stored: those that the present event needs, and the last ones used. */
typedef struct invman_i_columns {
  void (*make)(size_t j, double *column, void *arg);
  void *arg;
  double **column;      /* (n) a point's column; NULL: not here */
  size_t *owner, *used; /* (n) by column: its point, and the last event that it served */
  double **memory;      /* (n) by column */
  size_t count;
  double *diagonal; /* (n) as far as it has been seen */
  double *spare;    /* (SPARE, n) for columns that serve once */
} invman_i_columns;

typedef struct invman_i_margins {
  /* The problem. */
  invman_i_scope *scope;
  size_t n, room;            /* points; points there is memory for */
  const double *K;           /* (n,n) symmetric; NULL: */
  invman_i_columns *columns; /* its columns are made when they are needed */
  double scale;              /* of Q */
  double *y, *drift;         /* (n) labels; c */
  int driftless;             /* c = 0 */
  size_t above_wanted;       /* points above their margin whose time is asked for */

  /* The state: where the flow is at time s, and how it moves. */
  double s;
  double *m, *g, *rate;  /* (n) margins, multipliers, dm/ds */
  double *lower, *upper; /* (n) the multipliers' bounds: 0 and 1, but for invman_box_qp */
  double *impulse;       /* (n) the integral of g over s so far */
  unsigned char *state;  /* (n) */
  size_t events, above;  /* arrivals at the margin so far; points above it */
  double above_time;     /* when there were first as many above it as wanted, -1: not yet */

  /* The active-set method at an event. */
  size_t *on_margin, on_margin_count; /* the points at their margin */
  size_t *free_list, free_count;      /* those of them that are free, in the order of the factor */
  double *factor, *spare_factor; /* (capacity, capacity) lower Cholesky factor L of Q on them; while it is made anew */
  double *column, *step;         /* (capacity) L^-1 Q_j of the driven point j; how the free multipliers answer it */
  size_t capacity;
  double *change;             /* (n) of g, not yet in the rates of points away from their margin */
  double *before;             /* (on_margin_count) the rates of the points at their margin when the event began */
  size_t settled, refactored; /* events settled; factors made anew */
  size_t pivots;              /* times that a point became free or came to a bound */

  /* The rounding of the rates: what is smaller than their scale times DBL_EPSILON is nothing. */
  double *root;                /* (n) sqrt(Q_ii) */
  double weight, fresh_weight; /* sum of g sqrt(Q_ii); when all rates were last made anew */
  double free_weight;          /* sum of sqrt(Q_ii) of the free points */

  /* Scratch. */
  double *at_rate, *product;             /* (n) */
  const double **from;                   /* (n) columns of a sum, and */
  double *from_factor, *from_factor_low; /* (n) what they are multiplied by */
  double *work;                          /* (INVMAN_I_SMOOTH_ROWS, n) of the smooth losses */
} invman_i_margins;

enum { INVMAN_I_SMOOTH_ROWS = 12 };

static invman_status invman_i_margins_reserve(invman_i_margins *e, invman_i_scope *scope, size_t n) {
  double **array[] = {&e->y,      &e->drift, &e->m,       &e->g,       &e->rate,        &e->impulse,         &e->change,
                      &e->before, &e->root,  &e->at_rate, &e->product, &e->from_factor, &e->from_factor_low, &e->lower,
                      &e->upper};
  size_t i;
  e->scope = scope;
  e->n = n;
  if (n <= e->room) return INVMAN_OK;
  e->room = n = n + n / 4 + 16;
  for (i = 0; i < INVMAN_I_COUNT(array); i++) {
    invman_i_give(scope, *array[i]);
    *array[i] = invman_i_doubles(scope, n);
  }
  invman_i_give(scope, e->state);
  invman_i_give(scope, e->on_margin);
  invman_i_give(scope, e->free_list);
  invman_i_give(scope, e->work);
  invman_i_give(scope, (void *)e->from);
  e->from = (const double **)invman_i_take(scope, n, sizeof(double *));
  e->work = invman_i_doubles(scope, invman_i_mul(INVMAN_I_SMOOTH_ROWS, n));
  e->state = (unsigned char *)invman_i_take(scope, n, 1);
  e->on_margin = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  e->free_list = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  for (i = 0; i < n && e->upper; i++) e->upper[i] = 1;
  return scope->status;
}

/* ---- the kernel's columns */

enum { INVMAN_I_SPARE = 16, INVMAN_I_COLUMN_ROWS = 512 };

static void invman_i_make_column(invman_i_margins *e, size_t j, double *column) {
  invman_i_columns *c = e->columns;
  c->make(j, column, c->arg);
  c->diagonal[j] = column[j];
  if (e->scope->status == INVMAN_OK)
    e->scope->status = invman_i_check_finite(e->scope->ctx, column, e->n, "lazy: the kernel is not finite");
}

/* The column that was used longest ago, of those that no free point needs; count if there is none. Where very many
   points meet their margin in one event, it may be the column of one of these. */
static size_t invman_i_idle_column(const invman_i_margins *e) {
  const invman_i_columns *c = e->columns;
  size_t k, idle = c->count;
  for (k = 0; k < c->count; k++) {
    size_t j = c->owner[k];
    if (e->state[j] == INVMAN_I_FREE) continue;
    if (idle == c->count || c->used[k] < c->used[idle]) idle = k;
  }
  return idle;
}

/* Makes sure that point j's column is at hand: some that are idle are kept, since points come back. */
static invman_status invman_i_fetch(invman_i_margins *e, size_t j) {
  invman_i_columns *c = e->columns;
  size_t k;
  if (e->K) return INVMAN_OK;
  for (k = 0; k < c->count && c->column[j] && c->memory[k] != c->column[j]; k++) {}
  if (!c->column[j]) {
    k = c->count >= 2 * e->free_count + 64 ? invman_i_idle_column(e) : c->count;
    if (k == c->count) {
      c->memory[k] = invman_i_doubles(e->scope, e->n);
      if (!c->memory[k]) return e->scope->status;
      c->count++;
    } else {
      c->column[c->owner[k]] = NULL;
    }
    c->owner[k] = j;
    c->column[j] = c->memory[k];
    invman_i_make_column(e, j, c->column[j]);
  }
  c->used[k] = e->settled;
  return e->scope->status;
}

static double invman_i_q(const invman_i_margins *e, size_t i, size_t j) { /* column j must be at hand */
  return e->scale * e->y[i] * e->y[j] * (e->K ? e->K + j * e->n : e->columns->column[j])[i];
}

typedef struct invman_i_column_sum {
  const double *const *from;
  const double *factor, *factor_low;
  size_t count, n;
  double *out, *low;
} invman_i_column_sum;

/* out += sum of the columns times their factors; task: some rows */
INVMAN_I_INLINE void invman_i_sum_columns_body(size_t task, void *arg, const int L) {
  const invman_i_column_sum *s = (const invman_i_column_sum *)arg;
  size_t first = task * INVMAN_I_COLUMN_ROWS, last = invman_i_min(first + INVMAN_I_COLUMN_ROWS, s->n), k, i, l;
  for (k = 0; k < s->count; k += 4) {
    const double *const *c = s->from + k, *f = s->factor + k;
    size_t few = invman_i_min(4, s->count - k);
    for (i = first; few == 4 && i + INVMAN_I_WIDTH <= last; i += INVMAN_I_WIDTH) {
      invman_i_lanes sum = invman_i_load(s->out + i, L);
      INVMAN_I_UNROLL
      for (l = 0; l < 4; l++) {
        invman_i_lanes x = invman_i_load(c[l] + i, L);
        invman_i_add_scaled(&sum, f[l], &x, L);
      }
      invman_i_store(s->out + i, &sum, L);
    }
    for (i = few == 4 ? last - (last - first) % INVMAN_I_WIDTH : first; i < last; i++)
      for (l = 0; l < few; l++) s->out[i] += f[l] * c[l][i];
  }
}
INVMAN_I_KERNEL(invman_i_sum_columns)

/* The same in twofold precision, out + low += ..., the factors too: every product and every sum leaves its rounding
   error in low (Ogita, Rump and Oishi, 2005). */
INVMAN_I_INLINE void invman_i_sum_columns_twofold_body(size_t task, void *arg, const int L) {
  const invman_i_column_sum *s = (const invman_i_column_sum *)arg;
  size_t first = task * INVMAN_I_COLUMN_ROWS, last = invman_i_min(first + INVMAN_I_COLUMN_ROWS, s->n), k, i;
  for (k = 0; k < s->count; k++) {
    const double *c = s->from[k];
    double f = s->factor[k], f_low = s->factor_low ? s->factor_low[k] : 0, f_left = invman_i_left_half(f);
    for (i = first; !INVMAN_I_WIDER && i + INVMAN_I_WIDTH <= last; i += INVMAN_I_WIDTH) {
      invman_i_lanes x = invman_i_load(c + i, L), sum = invman_i_load(s->out + i, L),
                     low = invman_i_load(s->low + i, L);
      invman_i_add_twofold(&sum, &low, f, f_left, f_low, &x, L);
      invman_i_store(s->out + i, &sum, L);
      invman_i_store(s->low + i, &low, L);
    }
    for (; i < last; i++) {
      invman_i_wide product = invman_i_two_product(f, c[i]), sum = invman_i_two_sum(s->out[i], product.high);
      s->out[i] = sum.high;
      s->low[i] += sum.low + (product.low + f_low * c[i]);
    }
  }
}
INVMAN_I_KERNEL(invman_i_sum_columns_twofold)

/* out += K x for x of any signs; columns of zeros of x are not looked at. With low: out + low += K (x + x_low), in
   twofold precision; x_low NULL: 0. */
static void invman_i_add_kernel(invman_i_margins *e, const double *x, const double *x_low, double *out, double *low) {
  const invman_context *ctx = e->scope->ctx;
  invman_i_task sum_columns = low ? invman_i_sum_columns_twofold(ctx) : invman_i_sum_columns(ctx);
  invman_i_column_sum s;
  size_t j, spare = 0;
  s.from = e->from;
  s.factor = e->from_factor;
  s.factor_low = x_low ? e->from_factor_low : NULL;
  s.n = e->n;
  s.out = out;
  s.low = low;
  s.count = 0;
  for (j = 0; j <= e->n; j++) {
    if (j == e->n || spare == INVMAN_I_SPARE) {
      size_t tasks = (e->n + INVMAN_I_COLUMN_ROWS - 1) / INVMAN_I_COLUMN_ROWS;
      invman_i_parallel(ctx, tasks, sum_columns, &s, (low ? 8.0 : 1.0) * (double)s.count * (double)s.n);
      s.count = spare = 0;
    }
    if (j == e->n || x[j] == 0) continue;
    e->from_factor[s.count] = x[j];
    if (x_low) e->from_factor_low[s.count] = x_low[j];
    if (e->K || e->columns->column[j]) {
      e->from[s.count++] = e->K ? e->K + j * e->n : e->columns->column[j];
    } else {
      double *column = e->columns->spare + spare++ * e->n;
      invman_i_make_column(e, j, column);
      e->from[s.count++] = column;
    }
  }
}

static void invman_i_times_q(invman_i_margins *e, const double *x, double *out) { /* out = Q x; may be x */
  size_t i;
  for (i = 0; i < e->n; i++) e->at_rate[i] = e->scale * e->y[i] * x[i];
  memset(out, 0, e->n * sizeof *out);
  invman_i_add_kernel(e, e->at_rate, NULL, out, NULL);
  for (i = 0; i < e->n; i++) out[i] *= e->y[i];
}

/* ---- the active-set method */

/* A rate smaller than this is rounding: of the terms g_j Q_ij that it sums, and of the free multipliers, whose own
   rounding is relative to 1. */
static double invman_i_rate_tol(const invman_i_margins *e, size_t i) {
  return 1e-12 * (e->root[i] * (e->weight + 0.01 * e->free_weight) + fabs(e->drift[i]));
}

static void invman_i_add_rates(invman_i_margins *e, const double *change) { /* rate += Q change */
  size_t i;
  invman_i_times_q(e, change, e->product);
  for (i = 0; i < e->n; i++) e->rate[i] += e->product[i];
}

static void invman_i_refresh_rates(invman_i_margins *e) { /* computes all rates anew, free of old rounding */
  memcpy(e->rate, e->drift, e->n * sizeof(double));
  invman_i_add_rates(e, e->g);
  e->fresh_weight = e->weight;
}

static invman_status invman_i_factor_reserve(invman_i_margins *e) {
  size_t capacity = invman_i_min(invman_i_max(32, e->capacity + e->capacity / 2), e->n), i;
  double *factor;
  if (e->free_count < e->capacity) return INVMAN_OK;
  factor = (double *)invman_i_take_unset(e->scope, invman_i_mul(capacity, capacity), sizeof(double));
  if (!factor) return e->scope->status;
  for (i = 0; i < e->free_count; i++)
    memcpy(factor + i * capacity, e->factor + i * e->capacity, (i + 1) * sizeof(double));
  invman_i_give(e->scope, e->factor);
  invman_i_give(e->scope, e->spare_factor);
  invman_i_give(e->scope, e->column);
  invman_i_give(e->scope, e->step);
  e->factor = factor;
  e->spare_factor = (double *)invman_i_take_unset(e->scope, capacity * capacity, sizeof(double));
  e->column = invman_i_doubles(e->scope, capacity);
  e->step = invman_i_doubles(e->scope, capacity);
  e->capacity = e->step ? capacity : 0;
  return e->scope->status;
}

static void invman_i_forward(const invman_i_margins *e, double *x) { /* x = L^-1 x */
  size_t i;
  for (i = 0; i < e->free_count; i++) {
    const double *row = e->factor + i * e->capacity;
    x[i] = (x[i] - invman_i_inner(row, x, i)) / row[i];
  }
}

static void invman_i_backward(const invman_i_margins *e, double *x) { /* x = L^-T x */
  size_t i, k;
  for (i = e->free_count; i-- > 0;) {
    const double *row = e->factor + i * e->capacity;
    x[i] /= row[i];
    for (k = 0; k < i; k++) x[k] -= row[k] * x[i];
  }
}

/* The factor without row `gone`: rotations bring the rows below it back to triangular form. */
static void invman_i_factor_remove(invman_i_margins *e, size_t gone) {
  size_t i, k;
  e->free_count--;
  for (i = gone; i < e->free_count; i++) {
    e->free_list[i] = e->free_list[i + 1];
    memcpy(e->factor + i * e->capacity, e->factor + (i + 1) * e->capacity, (i + 2) * sizeof(double));
  }
  for (k = gone; k < e->free_count; k++) {
    const double *pivot = e->factor + k * e->capacity + k;
    double a = pivot[0], b = pivot[1], r = sqrt(a * a + b * b);
    for (i = k; i < e->free_count; i++) {
      double *row = e->factor + i * e->capacity + k, left = row[0];
      row[0] = (a * left + b * row[1]) / r;
      row[1] = (a * row[1] - b * left) / r;
    }
  }
}

static void invman_i_set_bound(invman_i_margins *e, size_t i, double bound) { /* exactly, against rounding */
  e->change[i] += bound - e->g[i];
  e->g[i] = bound;
}

/* Moves g by `length` times the step of the free points and by `own` at point j. The rates of the points at a bound
   follow; those of the free points stay zero. */
static void invman_i_move(invman_i_margins *e, double length, size_t j, double own) {
  size_t i, k;
  e->g[j] += own;
  e->change[j] += own;
  for (k = 0; k < e->free_count; k++) {
    e->g[e->free_list[k]] += length * e->step[k];
    e->change[e->free_list[k]] += length * e->step[k];
  }
  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    double sum = 0;
    if (e->state[a] == INVMAN_I_FREE) continue;
    for (k = 0; k < e->free_count; k++) sum += invman_i_q(e, a, e->free_list[k]) * e->step[k];
    e->rate[a] += invman_i_q(e, a, j) * own + sum * length;
  }
}

/* column = L^-1 Q_Mj, and the pivot that j would have: Q_jj less the square of that. Column j must be at hand. */
static double invman_i_factor_pivot(invman_i_margins *e, size_t j) {
  double pivot = invman_i_q(e, j, j);
  size_t k;
  for (k = 0; k < e->free_count; k++) e->column[k] = invman_i_q(e, e->free_list[k], j);
  invman_i_forward(e, e->column);
  for (k = 0; k < e->free_count; k++) pivot -= e->column[k] * e->column[k];
  return pivot;
}

static int invman_i_is_flat(const invman_i_margins *e, size_t j, double pivot) { /* nothing but rounding */
  return !(pivot > 1e-13 * invman_i_q(e, j, j));
}

static void invman_i_factor_append(invman_i_margins *e, size_t j, double pivot) { /* after _pivot */
  double *row = e->factor + e->free_count * e->capacity;
  memcpy(row, e->column, e->free_count * sizeof(double));
  row[e->free_count] = sqrt(pivot);
  e->free_list[e->free_count++] = j;
  e->state[j] = INVMAN_I_FREE;
}

/* How far the free points may go along their step, if not as far as `length`: to the first bound, which is that of
   free point *block. */
static double invman_i_reach(const invman_i_margins *e, double length, size_t *block) {
  size_t k;
  for (k = 0; k < e->free_count; k++) {
    size_t i = e->free_list[k];
    double g = e->g[i], d = e->step[k];
    double reach = d < 0 ? (g - e->lower[i]) / -d : d > 0 ? (e->upper[i] - g) / d : HUGE_VAL;
    if (reach < length) {
      length = reach > 0 ? reach : 0;
      *block = k;
    }
  }
  return length;
}

/* Drives point j off the bound at which its multiplier is, the way its rate asks for. */
static invman_status invman_i_drive(invman_i_margins *e, size_t j) {
  double sign = e->rate[j] > 0 ? -1 : 1;
  if (invman_i_fetch(e, j) < 0) return e->scope->status;
  for (;;) {
    double bend, room = sign < 0 ? e->g[j] - e->lower[j] : e->upper[j] - e->g[j], length = room;
    size_t k, block = e->free_count;
    if (invman_i_factor_reserve(e) < 0) return e->scope->status;

    /* What the free multipliers must do for their points' rates to stay zero, and how fast j's rate then falls. If j
       depends linearly on the free points (being equal to one, say) its rate does not fall: j never becomes free. */
    bend = invman_i_factor_pivot(e, j);
    for (k = 0; k < e->free_count; k++) e->step[k] = -sign * e->column[k];
    invman_i_backward(e, e->step);

    /* How far: until j's rate is zero, to j's other bound, or until a free multiplier reaches a bound. */
    if (!invman_i_is_flat(e, j, bend) && fabs(e->rate[j]) < bend * room) length = fabs(e->rate[j]) / bend;
    length = invman_i_reach(e, length, &block);
    if (!(length < HUGE_VAL))
      return INVMAN_NOT_CONVERGED; /* nothing ends it: not in the flow, whose bounds are finite */
    invman_i_move(e, length, j, sign * length);
    e->pivots++;

    if (block < e->free_count) {
      size_t held = e->free_list[block];
      invman_i_set_bound(e, held, e->step[block] < 0 ? e->lower[held] : e->upper[held]);
      e->state[held] = INVMAN_I_AT_BOUND;
      invman_i_factor_remove(e, block);
    } else if (length == room) {
      invman_i_set_bound(e, j, sign < 0 ? e->lower[j] : e->upper[j]);
      return INVMAN_OK;
    } else {
      invman_i_factor_append(e, j, bend);
      return INVMAN_OK;
    }
  }
}

/* How wrong the rate of a point at a bound is: below 0 where it presses against that bound. */
static double invman_i_wrong(const invman_i_margins *e, size_t i, double g, double rate) {
  return rate > 0 ? (g > e->lower[i] ? rate : -rate) : g < e->upper[i] ? -rate : rate;
}

/* The next point to be driven off its bound: the one whose rate is most wrong; n if there is none. */
static size_t invman_i_violator(const invman_i_margins *e) {
  size_t i, found = e->n;
  double most = 0;
  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    double wrong = invman_i_wrong(e, a, e->g[a], e->rate[a]);
    if (e->state[a] != INVMAN_I_AT_BOUND || wrong <= invman_i_rate_tol(e, a)) continue;
    if (wrong > most * e->root[a]) {
      most = wrong / e->root[a];
      found = a;
    }
  }
  return found;
}

/* Computes the factor anew where updates have let it drift. If a pivot is nothing but rounding the old factor stays. */
static void invman_i_refactor(invman_i_margins *e) {
  size_t count = e->free_count, i, k;
  for (i = 0; i < count; i++) {
    double own = invman_i_q(e, e->free_list[i], e->free_list[i]), *row = e->spare_factor + i * e->capacity, pivot = own;
    for (k = 0; k < i; k++) {
      const double *above = e->spare_factor + k * e->capacity;
      row[k] = (invman_i_q(e, e->free_list[i], e->free_list[k]) - invman_i_inner(row, above, k)) / above[k];
      pivot -= row[k] * row[k];
    }
    if (!(pivot > 1e-14 * own)) return;
    row[i] = sqrt(pivot);
  }
  for (i = 0; i < count; i++)
    memcpy(e->factor + i * e->capacity, e->spare_factor + i * e->capacity, (i + 1) * sizeof(double));
  e->refactored++;
}

static int invman_i_has_drifted(const invman_i_margins *e) {
  size_t k;
  for (k = 0; k < e->free_count; k++)
    if (fabs(e->rate[e->free_list[k]]) > 0.1 * invman_i_rate_tol(e, e->free_list[k])) return 1;
  return 0;
}

/* Brings the rates of free points that have drifted off zero back to it by a Newton step. If one step is not enough,
   the factor has drifted, and is computed anew. */
static void invman_i_polish(invman_i_margins *e) {
  size_t k;
  int trial;
  for (trial = 0; trial < 3 && invman_i_has_drifted(e); trial++) {
    if (trial == 1) invman_i_refactor(e);
    for (k = 0; k < e->free_count; k++) e->step[k] = -e->rate[e->free_list[k]];
    invman_i_forward(e, e->step);
    invman_i_backward(e, e->step);
    for (k = 0; k < e->free_count; k++) {
      e->g[e->free_list[k]] += e->step[k];
      e->change[e->free_list[k]] = e->step[k];
    }
    invman_i_add_rates(e, e->change);
    for (k = 0; k < e->free_count; k++) e->change[e->free_list[k]] = 0;
  }
  for (k = 0; k < e->free_count; k++) /* rounding may take a multiplier beyond a bound by less than it resolves */
    e->g[e->free_list[k]] = fmin(e->upper[e->free_list[k]], fmax(e->lower[e->free_list[k]], e->g[e->free_list[k]]));
}

/* Finds g where points are at their margin, brings all rates up to date, and changes the state of the points that leave
   their margin. */
static invman_status invman_i_settle(invman_i_margins *e) {
  size_t i, drives = 0, j;
  invman_status status;
  e->settled++;
  e->on_margin_count = 0;
  for (i = 0; i < e->n; i++)
    if (e->state[i] >= INVMAN_I_AT_BOUND) e->on_margin[e->on_margin_count++] = i;
  for (i = 0; i < e->on_margin_count; i++) e->before[i] = e->rate[e->on_margin[i]];
  while ((j = invman_i_violator(e)) < e->n) {
    if (drives++ > 100 * (e->n + 10)) return INVMAN_NOT_CONVERGED; /* only rounding can bring a set back */
    status = invman_i_drive(e, j);
    if (status != INVMAN_OK) return status;
  }

  for (i = 0; i < e->on_margin_count; i++) e->rate[e->on_margin[i]] = e->before[i];
  if (drives > 0) invman_i_add_rates(e, e->change);
  for (i = 0; i < e->on_margin_count; i++) e->change[e->on_margin[i]] = 0;
  for (i = 0, e->weight = 0; i < e->n; i++) e->weight += fabs(e->g[i]) * e->root[i];
  for (i = 0, e->free_weight = 0; i < e->free_count; i++) e->free_weight += e->root[e->free_list[i]];
  if (e->weight < 0.5 * e->fresh_weight) invman_i_refresh_rates(e);
  invman_i_polish(e);

  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    if (e->state[a] != INVMAN_I_AT_BOUND || fabs(e->rate[a]) <= invman_i_rate_tol(e, a)) continue;
    if (e->rate[a] < 0 && e->g[a] >= e->upper[a]) e->state[a] = INVMAN_I_BELOW;
    if (e->rate[a] > 0 && e->g[a] <= e->lower[a]) {
      e->state[a] = INVMAN_I_ABOVE;
      e->above++;
    }
  }
  if (e->above_time < 0 && e->above >= e->above_wanted) e->above_time = e->s;
  return e->scope->status;
}

/* How long until point i reaches its margin, at the present rates. */
static double invman_i_wait(const invman_i_margins *e, size_t i) {
  double gap = e->state[i] == INVMAN_I_BELOW ? 1 - e->m[i] : e->m[i] - 1;
  double rate = e->state[i] == INVMAN_I_BELOW ? e->rate[i] : -e->rate[i];
  if (e->state[i] > INVMAN_I_ABOVE || rate <= invman_i_rate_tol(e, i)) return HUGE_VAL;
  return gap > 0 ? gap / rate : 0;
}

/* The state at s = 0, from the margins e->m. */
static invman_status invman_i_hinge_start(invman_i_margins *e) {
  size_t i;
  e->s = e->weight = e->free_weight = 0;
  e->free_count = e->above = e->events = e->settled = e->refactored = 0;
  e->above_time = -1;
  for (i = 0; i < e->n; i++) {
    double gap = 1 - e->m[i];
    e->state[i] = fabs(gap) <= 1e-14 ? INVMAN_I_AT_BOUND : gap > 0 ? INVMAN_I_BELOW : INVMAN_I_ABOVE;
    e->above += e->state[i] == INVMAN_I_ABOVE;
    e->g[i] = e->state[i] == INVMAN_I_ABOVE ? 0 : 1;
    e->impulse[i] = e->change[i] = 0;
  }
  invman_i_refresh_rates(e);
  if (e->scope->status < 0) return e->scope->status;
  for (i = 0; i < e->n; i++) {
    double q = e->scale * (e->K ? e->K[i * e->n + i] : e->columns->diagonal[i]);
    e->root[i] = q > 0 ? sqrt(q) : 0;
    e->weight += e->g[i] * e->root[i];
  }
  e->fresh_weight = e->weight;
  return invman_i_settle(e);
}

/* Advances to the next event or to s = horizon. A stationary flow stays where it is. */
static invman_status invman_i_hinge_advance(invman_i_margins *e, double horizon, int *stationary) {
  double left = horizon - e->s, ds = HUGE_VAL, arrived, *wait = e->product;
  size_t i;
  *stationary = 1;
  for (i = 0; i < e->n; i++) {
    wait[i] = invman_i_wait(e, i);
    if (wait[i] < ds) ds = wait[i];
    if (e->state[i] <= INVMAN_I_ABOVE && fabs(e->rate[i]) > invman_i_rate_tol(e, i)) *stationary = 0;
  }
  if (ds == HUGE_VAL && e->driftless)
    *stationary = 1; /* g'Qg >= 0: what moves on without ever meeting an event is rounding */
  if (*stationary) return INVMAN_OK;
  arrived = ds < left ? ds * (1 + 1e-13) : -1; /* those that arrive within rounding of the first arrive with it */
  if (ds > left) ds = left;
  for (i = 0; i < e->n; i++) {
    e->impulse[i] += ds * e->g[i];
    if (e->state[i] >= INVMAN_I_AT_BOUND) continue;
    if (wait[i] <= arrived) {
      e->above -= e->state[i] == INVMAN_I_ABOVE;
      e->m[i] = 1;
      e->state[i] = INVMAN_I_AT_BOUND;
      e->events++;
    } else {
      e->m[i] += ds * e->rate[i];
    }
  }
  e->s = arrived < 0 ? horizon : e->s + ds;
  return arrived < 0 ? INVMAN_OK : invman_i_settle(e);
}

/* Runs from the margins e->m at s = 0 to s = horizon, or until the flow is stationary. */
static invman_status invman_i_hinge_run(invman_i_margins *e, double horizon, int *stationary) {
  invman_status status = invman_i_hinge_start(e);
  *stationary = 0;
  while (status == INVMAN_OK && !*stationary && e->s < horizon) status = invman_i_hinge_advance(e, horizon, stationary);
  return status;
}

/* ---- the event engine in twofold precision

   This is the same algorithm with K taken as exact, without the tolerances and the refreshing that doubles need. It can
   take over at any state: the coefficients reached so far, whatever rounding has made of them, are a state of some
   flow, and that flow is followed. Flows with the same kernel approach each other in the kernel's norm, so that earlier
   rounding does not grow. dm/dtime = Q g with Q_ij = unit y_i y_j K_ij. */

typedef struct invman_i_exact {
  invman_i_margins *e;  /* kernel, labels, states, the points at their margin and the counts are kept there */
  double unit;          /* a power of two that makes the largest Q_ii about 1; s = n unit time */
  invman_i_wide time;   /* this and the arrays as in invman_i_margins: */
  invman_i_wide *m, *g; /* (n) */
  invman_i_wide *rate, *before, *impulse, *change; /* (n) */
  invman_i_wide *wait;                             /* (n) how long until a point reaches its margin */
  double *root, *row;                              /* (n) sqrt(Q_ii); sum_j |Q_ij| */
  double *high, *low, *sum, *sum_low;              /* (n) scratch of products with K */
  unsigned char *flat;                             /* (n) the point depends linearly on the free ones */
  invman_i_wide *factor, *column, *step;           /* (capacity, capacity), (capacity), (capacity) */
  size_t capacity;
  double weight, free_weight;
  double largest;            /* multiplier, no less than 1 */
  double *kept, kept_s;      /* (2,n) a and g, the time */
  unsigned char *kept_state; /* (n) and the states of the last state that doubles can hold */
  int definite;              /* K has been found to have an inverse */
} invman_i_exact;

static invman_i_wide *invman_i_wides(invman_i_scope *scope, size_t count) {
  return (invman_i_wide *)invman_i_take(scope, count, sizeof(invman_i_wide));
}

static invman_status invman_i_exact_reserve(invman_i_exact *x, invman_i_margins *e) {
  invman_i_scope *scope = e->scope;
  size_t n = e->n;
  memset(x, 0, sizeof *x);
  x->e = e;
  x->m = invman_i_wides(scope, n);
  x->g = invman_i_wides(scope, n);
  x->rate = invman_i_wides(scope, n);
  x->before = invman_i_wides(scope, n);
  x->impulse = invman_i_wides(scope, n);
  x->change = invman_i_wides(scope, n);
  x->wait = invman_i_wides(scope, n);
  x->root = invman_i_doubles(scope, n);
  x->row = invman_i_doubles(scope, n);
  x->high = invman_i_doubles(scope, n);
  x->low = invman_i_doubles(scope, n);
  x->sum = invman_i_doubles(scope, n);
  x->sum_low = invman_i_doubles(scope, n);
  x->kept = invman_i_doubles(scope, invman_i_mul(2, n));
  x->kept_state = (unsigned char *)invman_i_take(scope, n, 1);
  x->flat = (unsigned char *)invman_i_take(scope, n, 1);
  return scope->status;
}

static double invman_i_exact_q(const invman_i_exact *x, size_t i, size_t j) { /* column j must be at hand */
  const invman_i_margins *e = x->e;
  return x->unit * e->y[i] * e->y[j] * (e->K ? e->K + j * e->n : e->columns->column[j])[i];
}

static void invman_i_exact_add(invman_i_exact *x, const invman_i_wide *v, invman_i_wide *out) { /* out += Q v */
  const double *y = x->e->y;
  size_t i, n = x->e->n;
  for (i = 0; i < n; i++) {
    x->high[i] = x->unit * y[i] * v[i].high;
    x->low[i] = x->unit * y[i] * v[i].low;
    x->sum[i] = x->sum_low[i] = 0;
  }
  invman_i_add_kernel(x->e, x->high, x->low, x->sum, x->sum_low);
  for (i = 0; i < n; i++) out[i] = invman_i_wide_add(out[i], invman_i_two_sum(y[i] * x->sum[i], y[i] * x->sum_low[i]));
}

/* An upper bound of sum_j |Q_ij g_j| + |c_i|: by |Q_ij| <= sqrt(Q_ii Q_jj), or by the row, which other points' scales
   do not affect. */
static double invman_i_exact_size(const invman_i_exact *x, size_t i) {
  double size = fmin(x->root[i] * (x->weight + 2e-4 * x->free_weight), x->row[i] * x->largest);
  return size + fabs(x->e->drift[i]);
}

/* Rates below these are zero: below the rounding of this precision, and below that of K's own entries. */
static double invman_i_exact_tol(const invman_i_exact *x, size_t i) {
  return 3e-27 * invman_i_exact_size(x, i) + 1e-30 * x->row[i] * x->largest;
}
static double invman_i_exact_noise(const invman_i_exact *x, size_t i) {
  return 16 * DBL_EPSILON * invman_i_exact_size(x, i) + invman_i_exact_tol(x, i);
}
static const double invman_i_exact_flat = 1e-26; /* relative to Q_jj: a smaller pivot is nothing but rounding */

/* ---- the factor of Q on the free points */

static invman_status invman_i_exact_factor_reserve(invman_i_exact *x) {
  const invman_i_margins *e = x->e;
  size_t capacity = invman_i_min(invman_i_max(32, x->capacity + x->capacity / 2), e->n), i;
  invman_i_wide *factor;
  if (e->free_count < x->capacity) return INVMAN_OK;
  factor = invman_i_wides(e->scope, invman_i_mul(capacity, capacity));
  if (!factor) return e->scope->status;
  for (i = 0; i < e->free_count; i++)
    memcpy(factor + i * capacity, x->factor + i * x->capacity, e->free_count * sizeof *factor);
  invman_i_give(e->scope, x->factor);
  invman_i_give(e->scope, x->column);
  invman_i_give(e->scope, x->step);
  x->factor = factor;
  x->column = invman_i_wides(e->scope, capacity);
  x->step = invman_i_wides(e->scope, capacity);
  x->capacity = x->step ? capacity : 0;
  return e->scope->status;
}

static void invman_i_exact_forward(const invman_i_exact *x, invman_i_wide *v) { /* v = L^-1 v */
  size_t i, k;
  for (i = 0; i < x->e->free_count; i++) {
    const invman_i_wide *row = x->factor + i * x->capacity;
    invman_i_wide sum = invman_i_widen(0);
    for (k = 0; k < i; k++) sum = invman_i_wide_add_product(sum, row[k], v[k]);
    v[i] = invman_i_wide_divide(invman_i_wide_subtract(v[i], sum), row[i]);
  }
}

static void invman_i_exact_backward(const invman_i_exact *x, invman_i_wide *v) { /* v = L^-T v */
  size_t i, k;
  for (i = x->e->free_count; i-- > 0;) {
    const invman_i_wide *row = x->factor + i * x->capacity;
    invman_i_wide minus;
    v[i] = invman_i_wide_divide(invman_i_two_sum(v[i].high, v[i].low), row[i]);
    minus = invman_i_wide_negative(v[i]);
    for (k = 0; k < i; k++) v[k] = invman_i_wide_add_product(v[k], row[k], minus);
  }
}

/* column = L^-1 Q_Mj, and the pivot that j would have: Q_jj less the square of that. Column j must be at hand. */
static invman_i_wide invman_i_exact_factor_pivot(invman_i_exact *x, size_t j) {
  invman_i_wide square = invman_i_widen(0);
  size_t k;
  for (k = 0; k < x->e->free_count; k++) x->column[k] = invman_i_widen(invman_i_exact_q(x, x->e->free_list[k], j));
  invman_i_exact_forward(x, x->column);
  for (k = 0; k < x->e->free_count; k++) square = invman_i_wide_add_product(square, x->column[k], x->column[k]);
  return invman_i_wide_subtract(invman_i_widen(invman_i_exact_q(x, j, j)), square);
}

static int invman_i_exact_is_flat(const invman_i_exact *x, size_t j, invman_i_wide pivot) {
  return !(pivot.high > invman_i_exact_flat * x->root[j] * x->root[j]);
}

static void invman_i_exact_factor_append(invman_i_exact *x, size_t j, invman_i_wide pivot) { /* after _pivot */
  invman_i_margins *e = x->e;
  invman_i_wide *row = x->factor + e->free_count * x->capacity;
  memcpy(row, x->column, e->free_count * sizeof *row);
  row[e->free_count] = invman_i_wide_root(pivot);
  e->free_list[e->free_count++] = j;
}

static void invman_i_exact_factor_remove(invman_i_exact *x, size_t gone) { /* as invman_i_factor_remove */
  invman_i_margins *e = x->e;
  size_t i, k;
  e->free_count--;
  for (i = gone; i < e->free_count; i++) {
    e->free_list[i] = e->free_list[i + 1];
    memcpy(x->factor + i * x->capacity, x->factor + (i + 1) * x->capacity, (i + 2) * sizeof *x->factor);
  }
  for (k = gone; k < e->free_count; k++) {
    const invman_i_wide *pivot = x->factor + k * x->capacity + k;
    invman_i_wide a = pivot[0], b = pivot[1], r;
    r = invman_i_wide_root(invman_i_wide_add(invman_i_wide_multiply(a, a), invman_i_wide_multiply(b, b)));
    a = invman_i_wide_divide(a, r);
    b = invman_i_wide_divide(b, r);
    for (i = k; i < e->free_count; i++) {
      invman_i_wide *row = x->factor + i * x->capacity + k, left = row[0], right = row[1];
      row[0] = invman_i_wide_add(invman_i_wide_multiply(a, left), invman_i_wide_multiply(b, right));
      row[1] = invman_i_wide_subtract(invman_i_wide_multiply(a, right), invman_i_wide_multiply(b, left));
    }
  }
}

/* ---- the active-set method, as above in doubles */

static void invman_i_exact_change(invman_i_exact *x, size_t i, invman_i_wide by) {
  x->g[i] = invman_i_wide_add(x->g[i], by);
  x->change[i] = invman_i_wide_add(x->change[i], by);
}

static void invman_i_exact_hold(invman_i_exact *x, size_t i, double bound) {
  invman_i_exact_change(x, i, invman_i_wide_subtract(invman_i_widen(bound), x->g[i]));
  x->g[i] = invman_i_widen(bound);
}

static void invman_i_exact_move(invman_i_exact *x, invman_i_wide length, size_t j, invman_i_wide own) {
  const invman_i_margins *e = x->e;
  size_t i, k;
  invman_i_exact_change(x, j, own);
  for (k = 0; k < e->free_count; k++) {
    x->step[k] = invman_i_wide_multiply(length, x->step[k]);
    invman_i_exact_change(x, e->free_list[k], x->step[k]);
  }
  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    invman_i_wide sum = invman_i_wide_multiply(own, invman_i_widen(invman_i_exact_q(x, a, j)));
    if (e->state[a] == INVMAN_I_FREE) continue;
    for (k = 0; k < e->free_count; k++)
      sum = invman_i_wide_add_product(sum, x->step[k], invman_i_widen(invman_i_exact_q(x, a, e->free_list[k])));
    x->rate[a] = invman_i_wide_add(x->rate[a], sum);
  }
}

/* How far point i is from the bound ahead of it, on its way down (sign < 0) or up. */
static invman_i_wide invman_i_exact_room(const invman_i_exact *x, size_t i, double sign) {
  double bound = sign < 0 ? x->e->lower[i] : x->e->upper[i];
  if (!invman_i_isfinite(bound)) return invman_i_widen(HUGE_VAL);
  if (sign < 0) return invman_i_wide_subtract(x->g[i], invman_i_widen(bound));
  return invman_i_wide_subtract(invman_i_widen(bound), x->g[i]);
}

/* How far free multiplier k may go along its step: to the bound ahead of it. */
static invman_i_wide invman_i_exact_reach(const invman_i_exact *x, size_t k) {
  invman_i_wide step = x->step[k], room = invman_i_exact_room(x, x->e->free_list[k], step.high), reach;
  if (step.high == 0 || !(room.high < HUGE_VAL)) return invman_i_widen(HUGE_VAL);
  reach = invman_i_wide_divide(room, step.high < 0 ? invman_i_wide_negative(step) : step);
  return reach.high > 0 ? reach : invman_i_widen(0);
}

/* A way down without an end, of a problem of invman_box_qp: no bound ahead, and no curvature but the rounding of Q. */
static int invman_i_exact_is_endless(const invman_i_exact *x, size_t j, invman_i_wide room, invman_i_wide pivot) {
  return !(room.high < HUGE_VAL) && !(pivot.high > DBL_EPSILON * (double)x->e->n * x->root[j] * x->root[j]);
}
static invman_status invman_i_exact_endless(const invman_i_exact *x, size_t j) {
  invman_i_scope *scope = x->e->scope;
  return scope->status =
             invman_i_fail(scope->ctx, INVMAN_E_ARG,
                           "box_qp: unbounded: a direction without curvature or bound leads down", "element", j);
}

static invman_status invman_i_exact_drive(invman_i_exact *x, size_t j) {
  invman_i_margins *e = x->e;
  double sign = x->rate[j].high > 0 ? -1 : 1;
  if (invman_i_fetch(e, j) < 0) return e->scope->status;
  for (;;) {
    invman_i_wide room = invman_i_exact_room(x, j, sign), length = room, pivot;
    size_t k, block = e->free_count;
    int joins = 0, negative;
    if (invman_i_exact_factor_reserve(x) < 0) return e->scope->status;

    /* What the free multipliers must do for their points' rates to stay zero. If j depends linearly on the free points
       its rate is zero as well, up to the rounding of K. */
    pivot = invman_i_exact_factor_pivot(x, j);
    x->flat[j] = invman_i_exact_is_flat(x, j, pivot) && fabs(x->rate[j].high) <= invman_i_exact_noise(x, j);
    if (x->flat[j]) return INVMAN_OK;
    for (k = 0; k < e->free_count; k++) x->step[k] = sign < 0 ? x->column[k] : invman_i_wide_negative(x->column[k]);
    invman_i_exact_backward(x, x->step);

    /* How far: until j's rate is zero, to j's other bound, or until a free multiplier reaches a bound. */
    if (!invman_i_exact_is_flat(x, j, pivot)) {
      invman_i_wide rate = x->rate[j].high < 0 ? invman_i_wide_negative(x->rate[j]) : x->rate[j];
      invman_i_wide needed = invman_i_wide_divide(rate, pivot);
      joins = invman_i_wide_less(needed, length);
      if (joins) length = needed;
    }
    for (k = 0; k < e->free_count; k++) {
      invman_i_wide reach = invman_i_exact_reach(x, k);
      if (!invman_i_wide_less(reach, length)) continue;
      length = reach;
      block = k;
    }
    negative = block < e->free_count && x->step[block].high < 0;
    if (block == e->free_count && invman_i_exact_is_endless(x, j, room, pivot)) return invman_i_exact_endless(x, j);
    invman_i_exact_move(x, length, j, sign < 0 ? invman_i_wide_negative(length) : length);
    e->pivots++;

    if (block < e->free_count) {
      size_t held = e->free_list[block];
      invman_i_exact_hold(x, held, negative ? e->lower[held] : e->upper[held]);
      e->state[held] = INVMAN_I_AT_BOUND;
      invman_i_exact_factor_remove(x, block);
    } else if (!joins) {
      invman_i_exact_hold(x, j, sign < 0 ? e->lower[j] : e->upper[j]);
      return INVMAN_OK;
    } else {
      invman_i_exact_factor_append(x, j, pivot);
      e->state[j] = INVMAN_I_FREE;
      return INVMAN_OK;
    }
  }
}

/* A point that depends linearly on the free ones is set aside for as long as its rate is K's rounding: a free one may
   leave, and then it depends on them no more. */
static int invman_i_exact_set_aside(const invman_i_exact *x, size_t i) {
  return x->flat[i] && fabs(x->rate[i].high) <= invman_i_exact_noise(x, i);
}

static size_t invman_i_exact_violator(const invman_i_exact *x) {
  const invman_i_margins *e = x->e;
  size_t i, found = e->n;
  double most = 0;
  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    double wrong = invman_i_wrong(e, a, x->g[a].high, x->rate[a].high);
    if (e->state[a] != INVMAN_I_AT_BOUND || wrong <= invman_i_exact_tol(x, a)) continue;
    if (invman_i_exact_set_aside(x, a)) continue;
    if (wrong > most * x->root[a]) {
      most = wrong / x->root[a];
      found = a;
    }
  }
  return found;
}

static void invman_i_exact_weigh(invman_i_exact *x) {
  const invman_i_margins *e = x->e;
  size_t i;
  for (i = 0, x->weight = 0, x->largest = 1; i < e->n; i++) {
    x->weight += fabs(x->g[i].high) * x->root[i];
    x->largest = fmax(x->largest, fabs(x->g[i].high));
  }
  for (i = 0, x->free_weight = 0; i < e->free_count; i++) x->free_weight += x->root[e->free_list[i]];
}

static invman_status invman_i_exact_settle(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  size_t i, drives = 0, j;
  e->settled++;
  e->on_margin_count = 0;
  for (i = 0; i < e->n; i++)
    if (e->state[i] >= INVMAN_I_AT_BOUND) e->on_margin[e->on_margin_count++] = i;
  for (i = 0; i < e->on_margin_count; i++) {
    x->before[i] = x->rate[e->on_margin[i]];
    x->flat[e->on_margin[i]] = 0;
  }
  while ((j = invman_i_exact_violator(x)) < e->n) {
    if (drives++ > 100 * (e->n + 10)) return INVMAN_NOT_CONVERGED;
    if (invman_i_exact_drive(x, j) < 0) return e->scope->status;
  }

  for (i = 0; i < e->on_margin_count; i++) x->rate[e->on_margin[i]] = x->before[i];
  if (drives > 0) invman_i_exact_add(x, x->change, x->rate);
  for (i = 0; i < e->on_margin_count; i++) x->change[e->on_margin[i]] = invman_i_widen(0);
  invman_i_exact_weigh(x);

  for (i = 0; i < e->on_margin_count; i++) {
    size_t a = e->on_margin[i];
    if (e->state[a] != INVMAN_I_AT_BOUND || fabs(x->rate[a].high) <= invman_i_exact_tol(x, a)) continue;
    if (invman_i_exact_set_aside(x, a)) continue;
    if (x->rate[a].high < 0 && x->g[a].high >= e->upper[a]) e->state[a] = INVMAN_I_BELOW;
    if (x->rate[a].high > 0 && x->g[a].high <= e->lower[a]) e->state[a] = INVMAN_I_ABOVE;
  }
  return e->scope->status;
}

/* ---- what the engine in doubles sees of it */

/* Sets a to the coefficients so far, and copies the leading digits of the other arrays to the engine in doubles. */
static void invman_i_exact_show(const invman_i_exact *x, double *a) {
  invman_i_margins *e = x->e;
  size_t i;
  for (i = 0; i < e->n; i++) {
    e->m[i] = x->m[i].high;
    e->g[i] = x->g[i].high;
    a[i] = e->y[i] * x->unit * x->impulse[i].high;
  }
}

/* Keeps a state to return to, should K's digits lead nowhere. */
static void invman_i_exact_keep(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  invman_i_exact_show(x, x->kept);
  memcpy(x->kept + e->n, e->g, e->n * sizeof(double));
  memcpy(x->kept_state, e->state, e->n);
  x->kept_s = e->s;
}

static void invman_i_exact_return(const invman_i_exact *x, double *a) {
  invman_i_margins *e = x->e;
  memcpy(a, x->kept, e->n * sizeof(double));
  memcpy(e->g, x->kept + e->n, e->n * sizeof(double));
  memcpy(e->state, x->kept_state, e->n);
  e->s = x->kept_s;
}

/* sum_j |K_ij x_j|, x NULL: of ones */
static double invman_i_row_size(invman_i_margins *e, const double *x, size_t i) {
  const double *column;
  double sum = 0;
  size_t j;
  if (!e->K && !e->columns->column[i]) invman_i_make_column(e, i, e->columns->spare);
  column = e->K ? e->K + i * e->n : e->columns->column[i] ? e->columns->column[i] : e->columns->spare;
  for (j = 0; j < e->n; j++) sum += fabs(x ? column[j] * x[j] : column[j]);
  return sum;
}

/* ---- taking over from the engine in doubles */

/* Moves the free points' impulses so that their margins are 1 to the last digit. Returns 0 where that would make an
   impulse negative. */
static int invman_i_exact_correct(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  size_t k;
  int good = 1;
  if (e->free_count == 0) return 1;
  for (k = 0; k < e->free_count; k++) x->step[k] = invman_i_wide_subtract(invman_i_widen(1), x->m[e->free_list[k]]);
  invman_i_exact_forward(x, x->step);
  invman_i_exact_backward(x, x->step);
  for (k = 0; k < e->free_count; k++) good &= invman_i_wide_add(x->impulse[e->free_list[k]], x->step[k]).high >= 0;
  for (k = 0; k < e->free_count && good; k++) {
    size_t i = e->free_list[k];
    x->change[i] = x->step[k];
    x->impulse[i] = invman_i_wide_add(x->impulse[i], x->step[k]);
  }
  if (good) invman_i_exact_add(x, x->change, x->m);
  for (k = 0; k < e->free_count; k++) x->change[e->free_list[k]] = invman_i_widen(0);
  return good;
}

/* Takes over the free points of the engine in doubles, factored; those without a pivot are at a bound. */
static invman_status invman_i_exact_factor_free(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  size_t count = e->free_count, k;
  e->free_count = 0;
  for (k = 0; k < count; k++) {
    size_t j = e->free_list[k];
    invman_i_wide pivot;
    if (invman_i_exact_factor_reserve(x) < 0 || invman_i_fetch(e, j) < 0) return e->scope->status;
    pivot = invman_i_exact_factor_pivot(x, j);
    if (invman_i_exact_is_flat(x, j, pivot)) e->state[j] = INVMAN_I_AT_BOUND;
    else invman_i_exact_factor_append(x, j, pivot);
  }
  return e->scope->status;
}

/* The same, and corrected; where that cannot be, none is free. */
static invman_status invman_i_exact_start_free(invman_i_exact *x) {
  if (invman_i_exact_factor_free(x) == INVMAN_OK && !invman_i_exact_correct(x)) x->e->free_count = 0;
  return x->e->scope->status;
}

static void invman_i_exact_start_states(invman_i_exact *x) { /* from the margins; those of the free points are 1 */
  invman_i_margins *e = x->e;
  size_t i, k;
  for (i = 0; i < e->n; i++) {
    double gap = invman_i_wide_subtract(invman_i_widen(1), x->m[i]).high;
    int held = e->state[i] == INVMAN_I_AT_BOUND && fabs(gap) <= 1e-12;
    x->g[i] = invman_i_widen(held ? e->g[i] > 0.5 : gap >= 0);
    e->state[i] = held || gap == 0 ? INVMAN_I_AT_BOUND : gap > 0 ? INVMAN_I_BELOW : INVMAN_I_ABOVE;
    if (held) x->m[i] = invman_i_widen(1);
  }
  for (k = 0; k < e->free_count; k++) {
    i = e->free_list[k];
    e->state[i] = INVMAN_I_FREE;
    x->m[i] = invman_i_widen(1);
    x->g[i] = invman_i_widen(e->g[i]);
  }
}

static void invman_i_exact_all_rates(invman_i_exact *x) {
  size_t i;
  for (i = 0; i < x->e->n; i++) x->rate[i] = invman_i_widen(x->e->drift[i]);
  invman_i_exact_add(x, x->g, x->rate);
  invman_i_exact_weigh(x);
}

/* Sets the free multipliers so that their points' rates are zero. If one leaves [0,1], they all start at 1 instead. */
static void invman_i_exact_start_multipliers(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  size_t k;
  int good = 1;
  invman_i_exact_all_rates(x);
  for (k = 0; k < e->free_count; k++) x->step[k] = invman_i_wide_negative(x->rate[e->free_list[k]]);
  if (e->free_count > 0) {
    invman_i_exact_forward(x, x->step);
    invman_i_exact_backward(x, x->step);
  }
  for (k = 0; k < e->free_count; k++) {
    invman_i_wide *g = &x->g[e->free_list[k]];
    *g = invman_i_wide_add(*g, x->step[k]);
    good &= g->high >= 0 && !invman_i_wide_less(invman_i_widen(1), *g);
  }
  for (k = 0; k < e->free_count && !good; k++) {
    e->state[e->free_list[k]] = INVMAN_I_AT_BOUND;
    x->g[e->free_list[k]] = invman_i_widen(1);
  }
  if (!good) e->free_count = 0;
  if (e->free_count > 0 || !good) invman_i_exact_all_rates(x);
}

/* Starts from what the engine in doubles has reached: its coefficients a, its free points, its time. */
static invman_status invman_i_exact_start(invman_i_exact *x, invman_i_margins *e, const double *a) {
  double largest = 0;
  size_t i;
  int exponent = 0;
  if (invman_i_exact_reserve(x, e) < 0) return e->scope->status;
  for (i = 0; i < e->n; i++) {
    x->root[i] = e->K ? e->K[i * e->n + i] : e->columns->diagonal[i];
    largest = x->root[i] > largest ? x->root[i] : largest;
  }
  if (largest > 0) frexp(largest, &exponent);
  x->unit = ldexp(1, exponent < -1000 ? 1000 : -exponent);
  for (i = 0; i < e->n; i++) {
    x->root[i] = sqrt(x->unit * x->root[i]);
    x->row[i] = invman_i_row_size(e, NULL, i) * x->unit;
    x->impulse[i] = invman_i_widen(fabs(a[i]) / x->unit);
  }
  x->time = invman_i_wide_divide(invman_i_widen(e->s / x->unit), invman_i_widen((double)e->n));
  invman_i_exact_add(x, x->impulse, x->m);
  if (invman_i_exact_start_free(x) < 0) return e->scope->status;
  invman_i_exact_start_states(x);
  invman_i_exact_start_multipliers(x);
  if (e->scope->status < 0) return e->scope->status;
  invman_i_exact_keep(x);
  return invman_i_exact_settle(x);
}

/* ---- from event to event */

/* Is K, as its digits are, without an inverse? A Cholesky factor that begins with the free points ends at the first
   pivot that is not above 0. */
static int invman_i_exact_singular(invman_i_exact *x) {
  invman_i_margins *e = x->e;
  size_t count = e->free_count, i;
  int flat = 0;
  for (i = 0; i < e->n && !flat; i++) {
    invman_i_wide pivot;
    if (e->state[i] == INVMAN_I_FREE) continue;
    if (invman_i_fetch(e, i) < 0 || invman_i_exact_factor_reserve(x) < 0) break;
    pivot = invman_i_exact_factor_pivot(x, i);
    flat = invman_i_exact_is_flat(x, i, pivot);
    if (!flat) invman_i_exact_factor_append(x, i, pivot);
  }
  e->free_count = count;
  return flat;
}

/* Finds the time until each point reaches its margin, and returns the least. moves: whether a rate is above K's
   rounding. */
static invman_i_wide invman_i_exact_waits(invman_i_exact *x, int *moves) {
  const invman_i_margins *e = x->e;
  invman_i_wide least = invman_i_widen(HUGE_VAL);
  size_t i;
  *moves = 0;
  for (i = 0; i < e->n; i++) {
    double toward = e->state[i] == INVMAN_I_BELOW ? x->rate[i].high : -x->rate[i].high;
    x->wait[i] = invman_i_widen(HUGE_VAL);
    if (e->state[i] > INVMAN_I_ABOVE) continue;
    *moves |= fabs(toward) > invman_i_exact_noise(x, i);
    if (toward <= invman_i_exact_tol(x, i)) continue;
    x->wait[i] = invman_i_wide_divide(invman_i_wide_subtract(invman_i_widen(1), x->m[i]), x->rate[i]);
    if (x->wait[i].high < 0) x->wait[i] = invman_i_widen(0); /* rounding has taken it past its margin */
    if (invman_i_wide_less(x->wait[i], least)) least = x->wait[i];
  }
  return least;
}

/* Is the flow stationary? It is if no point is below its margin: then g'Qg = 0, the terms of the free points cancel. It
   is also if no rate is above K's rounding and K has no inverse. If K has an inverse, its digits take the flow on. */
static int invman_i_exact_is_stationary(invman_i_exact *x, int moves) {
  if (!memchr(x->e->state, INVMAN_I_BELOW, x->e->n)) return 1;
  if (moves || x->definite) return 0;
  x->definite = !invman_i_exact_singular(x);
  return !x->definite;
}

/* Advances to the next event or to s = horizon. A stationary flow stays where it is. */
static invman_status invman_i_exact_advance(invman_i_exact *x, double horizon, int *stationary) {
  invman_i_margins *e = x->e;
  invman_i_wide step, left, latest;
  size_t i;
  int moves, ends;
  step = invman_i_exact_waits(x, &moves);
  *stationary = !(step.high < HUGE_VAL) || invman_i_exact_is_stationary(x, moves);
  if (*stationary || e->scope->status < 0) return e->scope->status;

  left = invman_i_wide_divide(invman_i_widen(horizon / x->unit), invman_i_widen((double)e->n));
  left = invman_i_wide_subtract(left, x->time);
  ends = invman_i_wide_less(left, step);
  if (ends) step = left;
  latest = invman_i_wide_multiply(step, invman_i_widen(1 + 4 * DBL_EPSILON));
  if (invman_i_wide_less(latest, step)) latest = step; /* as processors that round down would have it */
  x->time = invman_i_wide_add(x->time, step);
  for (i = 0; i < e->n; i++) {
    if (x->g[i].high != 0) x->impulse[i] = invman_i_wide_add(x->impulse[i], invman_i_wide_multiply(step, x->g[i]));
    if (e->state[i] >= INVMAN_I_AT_BOUND) continue;
    if (!ends && !invman_i_wide_less(latest, x->wait[i])) {
      x->m[i] = invman_i_widen(1);
      e->state[i] = INVMAN_I_AT_BOUND;
      e->events++;
    } else {
      x->m[i] = invman_i_wide_add(x->m[i], invman_i_wide_multiply(step, x->rate[i]));
    }
  }
  e->s = ends ? horizon : (double)e->n * (x->unit * x->time.high);
  return ends ? INVMAN_OK : invman_i_exact_settle(x);
}

/* ================================================================================================= >>lazy
   The hinge flow with a frozen kernel, from F = 0: the event engine of >>hinge, without a horizon. It runs in doubles
   while these can tell which event comes next, and then in twofold precision, since the flow of an ill-conditioned
   kernel is decided by differences that doubles do not hold. */

INVMAN_I_COLD

static void invman_i_lazy_measure(const invman_i_margins *e, const double *m, invman_lazy_info *info) {
  double sum = 0;
  size_t i;
  info->s = e->s;
  info->events = e->events;
  info->refactored = e->refactored;
  info->sliding = e->free_count;
  info->sliding_max = invman_i_max(info->sliding_max, e->free_count);
  info->margin_min = HUGE_VAL;
  info->unsatisfied = 0;
  for (i = 0; i < e->n; i++) {
    sum += m[i] < 1 ? 1 - m[i] : 0;
    info->unsatisfied += m[i] < 1 - 1e-9;
    if (m[i] < info->margin_min) info->margin_min = m[i];
  }
  info->loss = sum / (double)e->n;
}

/* Is the run over after this event? */
static int invman_i_lazy_end(const invman_i_margins *e, const invman_lazy_options *o, invman_lazy_info *info) {
  const invman_context *ctx = e->scope->ctx;
  int (*progress)(const char *, double, void *) = ctx ? ctx->progress : NULL;
  info->sliding_max = invman_i_max(info->sliding_max, e->free_count);
  if (o->report || progress) invman_i_lazy_measure(e, e->m, info);
  if (o->report && o->report(info, o->user)) return INVMAN_END_REPORT;
  if (progress && progress("lazy flow", 1 - (double)info->unsatisfied / (double)e->n, ctx->user))
    return INVMAN_END_PROGRESS;
  return o->event_max > 0 && e->events >= o->event_max ? INVMAN_END_STEP_MAX : INVMAN_END_NONE;
}

/* F's coefficients so far. */
static void invman_i_lazy_coefficients(const invman_i_margins *e, double *a) {
  size_t i;
  for (i = 0; i < e->n; i++) a[i] = e->y[i] * (e->impulse[i] > 0 ? e->impulse[i] * e->scale : 0);
}

/* The margins that the coefficients give, each right to its last rounding. */
static void invman_i_lazy_margins(invman_i_margins *e, const double *a, double *m) {
  double *low = e->product;
  size_t i;
  memset(m, 0, e->n * sizeof *m);
  memset(low, 0, e->n * sizeof *low);
  invman_i_add_kernel(e, a, NULL, m, low);
  for (i = 0; i < e->n; i++) m[i] = e->y[i] * (m[i] + low[i]);
}

/* How far margin i may be off because the coefficients are doubles: 1e-9, or 16 DBL_EPSILON sum_j |K_ij a_j| where they
   are so large; never more than 1/20. */
static double invman_i_lazy_allowed(invman_i_margins *e, const double *a, size_t i) {
  return fmin(0.05, fmax(1e-9, 16 * DBL_EPSILON * invman_i_row_size(e, a, i)));
}

/* The certificate of the margins: how far they are from where the multipliers say they are. Returns whether that is
   allowed; unsatisfied: the points that are below 1 by more than is allowed. */
static int invman_i_lazy_certify(invman_i_margins *e, const double *a, const double *m, invman_lazy_info *info) {
  int good = 1;
  size_t i;
  info->residual = 0;
  info->unsatisfied = 0;
  for (i = 0; i < e->n; i++) {
    double above = m[i] - 1, wrong = e->g[i] <= 0 ? -above : e->g[i] >= 1 ? above : fabs(above), allowed = 1e-9;
    if (wrong > info->residual) info->residual = wrong;
    if (wrong > allowed || -above > allowed) allowed = invman_i_lazy_allowed(e, a, i);
    good &= wrong <= allowed;
    info->unsatisfied += -above > allowed;
  }
  return good;
}

/* The certificate of the rates: the largest of those that should be zero. If the flow is stationary these are all
   rates, otherwise those of the free points. */
static double invman_i_lazy_speed(invman_i_margins *e, int stationary, double fastest) {
  double most = 0;
  size_t i;
  invman_i_times_q(e, e->g, e->rate);
  for (i = 0; i < e->n; i++)
    if ((stationary || e->state[i] == INVMAN_I_FREE) && fabs(e->rate[i]) > most) most = fabs(e->rate[i]);
  return fastest > 0 ? most / fastest : 0;
}

/* The time until which the coefficients are certainly so small that their rounding alone does not move margins. */
static double invman_i_lazy_trust(const invman_i_margins *e) {
  double root = invman_i_largest(e->root, e->n);
  return root > 0 ? 1e-6 / (DBL_EPSILON * root * root * (double)e->n) : HUGE_VAL;
}

/* How far the engine's margins are from those that the coefficients give. In doubles this is the engine's rounding, in
   twofold precision the coefficients' own. */
static double invman_i_lazy_drift(invman_i_margins *e, const double *a) {
  double most = 0;
  size_t i;
  invman_i_lazy_margins(e, a, e->work);
  for (i = 0; i < e->n; i++) most = invman_i_worst(most, fabs(e->work[i] - e->m[i]));
  return most;
}

/* Follows the events in doubles or, given x, in twofold precision. END_ROUNDING: this precision cannot tell which event
   comes next. */
static int invman_i_lazy_follow(invman_i_margins *e, invman_i_exact *x, const invman_lazy_options *o, double *a,
                                invman_lazy_info *info) {
  double trust = invman_i_lazy_trust(e), s_max = o->s_max > 0 ? o->s_max : HUGE_VAL;
  const double endless = 0.99 * DBL_MAX;                  /* where a kernel next to 0 would take s beyond all numbers */
  size_t most = e->events + invman_i_mul(100, e->n + 10); /* a kernel with negative eigenvalues might never end */
  int stationary = 0, end = invman_i_lazy_end(e, o, info);
  if (trust <= e->s) trust = 1.5 * e->s;
  while (end == INVMAN_END_NONE) {
    double limit = fmin(fmin(trust, s_max), endless), drift;
    invman_status status =
        x ? invman_i_exact_advance(x, limit, &stationary) : invman_i_hinge_advance(e, limit, &stationary);
    if (status != INVMAN_OK) return INVMAN_END_ROUNDING; /* or an error, which the scope remembers */
    if (stationary) return INVMAN_END_REST;
    if (x) invman_i_exact_show(x, a);
    end = invman_i_lazy_end(e, o, info);
    if (end == INVMAN_END_NONE && e->s >= s_max) end = INVMAN_END_T_MAX;
    if (end == INVMAN_END_NONE && (e->s >= endless || e->events >= most)) end = INVMAN_END_ROUNDING;
    if (end != INVMAN_END_NONE || e->s < trust) continue;
    if (!x) invman_i_lazy_coefficients(e, a);
    drift = invman_i_lazy_drift(e, a);
    if (!(drift <= (x ? 0.25 : 1e-10)) && !(x && x->definite)) end = INVMAN_END_ROUNDING;
    if (x && drift <= 0.01) invman_i_exact_keep(x);
    trust *= x ? 1.5 : 4;
  }
  return end;
}

/* How the run ended, judged by its coefficients, multipliers and states alone. */
static int invman_i_lazy_judge(invman_i_margins *e, int end, const double *a, double fastest, invman_lazy_info *info) {
  size_t i, below = 0;
  int good;
  for (i = 0; i < e->n; i++) below += e->state[i] == INVMAN_I_BELOW;
  invman_i_lazy_margins(e, a, e->m);
  invman_i_lazy_measure(e, e->m, info);
  good = invman_i_lazy_certify(e, a, e->m, info);
  info->speed = invman_i_lazy_speed(e, end == INVMAN_END_REST, fastest);
  if (e->scope->status == INVMAN_OK)
    e->scope->status = invman_i_check_finite(e->scope->ctx, e->m, e->n, "lazy: a margin is not finite");
  if (end != INVMAN_END_REST) return end;
  if (below == 0 && info->unsatisfied == 0) return INVMAN_END_SATISFIED;
  return below > 0 && good && info->speed <= 1e-8 ? INVMAN_END_REST : INVMAN_END_ROUNDING;
}

/* Goes on where doubles cannot tell which event comes next, or where they end with points below their margin. */
static int invman_i_lazy_exactly(invman_i_margins *e, const invman_lazy_options *o, double *a, double fastest,
                                 invman_lazy_info *info) {
  invman_i_exact x;
  invman_status status = invman_i_exact_start(&x, e, a);
  int end = INVMAN_END_ROUNDING;
  if (status == INVMAN_OK) end = invman_i_lazy_follow(e, &x, o, a, info);
  if (e->scope->status < 0) return end;
  invman_i_exact_show(&x, a);
  end = invman_i_lazy_judge(e, end, a, fastest, info);
  if (end == INVMAN_END_ROUNDING && e->scope->status == INVMAN_OK) { /* the better one of two that are not the end */
    double loss = info->loss, time = e->s;
    invman_i_exact_return(&x, a);
    (void)invman_i_lazy_judge(e, end, a, fastest, info);
    if (info->loss <= loss) return end;
    invman_i_exact_show(&x, a);
    e->s = time;
    (void)invman_i_lazy_judge(e, end, a, fastest, info);
  }
  return end;
}

static invman_status invman_i_lazy_run(invman_i_margins *e, const invman_lazy_options *o, double *a,
                                       invman_lazy_info *info) {
  double fastest, bound;
  int end;
  invman_status status = invman_i_hinge_start(e);
  if (status < 0) return status;
  fastest = invman_i_largest(e->rate, e->n);
  bound = invman_i_largest(e->root, e->n) * e->weight;
  if (fastest < 1e-12 * bound) fastest = bound; /* the rates' terms cancel at the start, up to rounding */
  end = status == INVMAN_OK ? invman_i_lazy_follow(e, NULL, o, a, info) : INVMAN_END_ROUNDING;
  if (e->scope->status == INVMAN_OK) {
    invman_i_lazy_coefficients(e, a);
    end = invman_i_lazy_judge(e, end, a, fastest, info);
  }
  if (e->scope->status == INVMAN_OK && (end == INVMAN_END_ROUNDING || end == INVMAN_END_REST))
    end = invman_i_lazy_exactly(e, o, a, fastest, info);
  if (e->scope->status < 0) {
    memset(a, 0, e->n * sizeof *a);
    return e->scope->status;
  }
  info->end = end;
  info->status = end == INVMAN_END_ROUNDING    ? INVMAN_NOT_CONVERGED
                 : end == INVMAN_END_REST      ? INVMAN_NOT_SEPARABLE
                 : end == INVMAN_END_SATISFIED ? INVMAN_OK
                                               : INVMAN_STOPPED;
  return info->status;
}

static invman_status invman_i_lazy(invman_i_scope *scope, invman_i_margins *e, const double *y, size_t n,
                                   const invman_lazy_options *options, double *a, invman_lazy_info *info) {
  invman_lazy_options o;
  invman_lazy_info own;
  size_t i;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  memset(&own, 0, sizeof own);
  if (invman_i_margins_reserve(e, scope, n) < 0) return scope->status;
  memcpy(e->y, y, n * sizeof *y);
  e->scale = 1 / (double)n;
  e->above_wanted = SIZE_MAX;
  e->driftless = 1;
  if (invman_i_lazy_run(e, &o, a, &own) < 0) return own.status = scope->status;
  if (o.margin)
    for (i = 0; i < n; i++) o.margin[i] = e->m[i];
  if (info) *info = own;
  return own.status;
}

static invman_status invman_i_check_lazy(const invman_context *ctx, const double *y, size_t n,
                                         const invman_lazy_options *o, const double *a) {
  if (!y || !a || n == 0) return invman_i_bad(ctx, "lazy: y or a is NULL, or n is 0");
  if (o && !(o->s_max >= 0)) return invman_i_bad(ctx, "lazy: s_max is negative or NaN");
  if (n > SIZE_MAX / 16 / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "lazy: sizes too large: their product overflows", "", 0);
  return invman_i_check_labels(ctx, y, n, "lazy: a label is neither -1 nor +1");
}

invman_status invman_lazy_train(const invman_context *ctx, const double *K, const double *y, size_t n,
                                const invman_lazy_options *options, double *a, invman_lazy_info *info) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_margins e;
  size_t i;
  invman_status status;
  if (info) memset(info, 0, sizeof *info);
  if (invman_i_mul(n, n) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "lazy: sizes too large: their product overflows", "", 0);
  status = K ? invman_i_check_lazy(ctx, y, n, options, a) : invman_i_bad(ctx, "lazy: K is NULL");
  if (status < 0) return status;
  status = invman_i_check_finite(ctx, K, n * n, "lazy: the kernel is not finite");
  for (i = 0; i < n && status == INVMAN_OK; i++)
    if (K[i * n + i] < 0)
      status = invman_i_fail(ctx, INVMAN_E_ARG, "lazy: the kernel is negative on its diagonal", "element", i);
  if (status < 0) return status;
  memset(&e, 0, sizeof e);
  e.K = K;
  status = invman_i_lazy(&scope, &e, y, n, options, a, info);
  invman_i_close(&scope);
  return status;
}

invman_status invman_lazy_train_columns(const invman_context *ctx, invman_kernel_column column, void *arg,
                                        const double *y, size_t n, const invman_lazy_options *options, double *a,
                                        invman_lazy_info *info) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_columns c;
  invman_i_margins e;
  invman_status status;
  if (info) memset(info, 0, sizeof *info);
  status = column ? invman_i_check_lazy(ctx, y, n, options, a) : invman_i_bad(ctx, "lazy: column is NULL");
  if (status < 0) return status;
  memset(&e, 0, sizeof e);
  memset(&c, 0, sizeof c);
  c.make = column;
  c.arg = arg;
  c.column = (double **)invman_i_take(&scope, n, sizeof(double *));
  c.memory = (double **)invman_i_take(&scope, n, sizeof(double *));
  c.owner = (size_t *)invman_i_take(&scope, n, sizeof(size_t));
  c.used = (size_t *)invman_i_take(&scope, n, sizeof(size_t));
  c.diagonal = invman_i_doubles(&scope, n);
  c.spare = invman_i_doubles(&scope, invman_i_mul(n, INVMAN_I_SPARE));
  if (scope.status < 0) return invman_i_close(&scope);
  e.columns = &c;
  status = invman_i_lazy(&scope, &e, y, n, options, a, info);
  invman_i_close(&scope);
  return status;
}

/* ---- the active-set method as a solver: min 1/2 x'Qx + c'x, lower <= x <= upper

   This is what the engine of >>hinge does at one event, if all points are at their margin: g = x between bounds of its
   own, and rate = Qx + c, the gradient. Few points are free at first, and most wait at a bound, BELOW at the upper and
   ABOVE at the lower one, as points of the flow wait for their margin. In each round those whose rate is most wrong
   come to the active-set method; in the first one all that a start has between its bounds. They set out together, by
   Newton's step of all free points; what depends linearly on them is left to the drives.

   No set comes twice, and no rule against cycles is needed, for every round lowers the objective. Of the drives this is
   shown in >>hinge: the argument asks for room behind a bound, not for how much. Newton's step p = -Q^-1 r is a way
   down, -p.r > 0, and r is zero but at points that came with a wrong rate: one of them at least goes inwards, where it
   has room. So steps of length 0, of which there are no more than points that are free, leave one that moves, however
   many are at a bound at once. (Points between their bounds that never were free are the start's: each is driven off
   once.) What rounding does to this argument, a cap on the rounds ends, and twofold precision goes on.

   Variables are scaled by powers of two, exactly, so that Q_ii is about 1 in each, and c about 1 in the largest. */

enum { INVMAN_I_BOX_FEW = 16 }; /* points that come in a round, or a quarter of as many as are free */

typedef struct invman_i_box {
  invman_i_margins e;
  int *exponent; /* (n) of the units of x */
  int energy;    /* and of the objective */
  double *wrong; /* (n) */
} invman_i_box;

enum { INVMAN_I_NO_EXPONENT = -100000 };
static int invman_i_largest_exponent(int largest, double value, int more) { /* of it and of value 2^more */
  int exponent;
  if (value == 0) return largest;
  (void)frexp(value, &exponent);
  return exponent + more > largest ? exponent + more : largest;
}

static void invman_i_box_scale(invman_i_box *b, const double *c, const double *lower, const double *upper,
                               const double *x) {
  invman_i_margins *e = &b->e;
  size_t i, n = e->n;
  int largest = -1000, all = INVMAN_I_NO_EXPONENT;
  for (i = 0; i < n; i++) largest = invman_i_largest_exponent(largest, e->K[i * n + i], 0);
  largest += largest % 2 != 0; /* so that no other unit of x changes a bit */
  e->scale = ldexp(1, -largest);
  for (i = 0; i < n; i++) {
    double own = e->K[i * n + i], at = fmin(upper ? upper[i] : HUGE_VAL, fmax(lower ? lower[i] : -HUGE_VAL, 0));
    int halved = (largest - invman_i_largest_exponent(INVMAN_I_NO_EXPONENT, own, 0)) / 2;
    b->exponent[i] = own == 0 ? 0 : halved < 400 ? halved : 400;
    all = invman_i_largest_exponent(all, c[i], b->exponent[i] - largest);
    all = invman_i_largest_exponent(all, at, -b->exponent[i]); /* the number within the bounds that is nearest to 0 */
  }
  if (all == INVMAN_I_NO_EXPONENT) all = 0;
  b->energy = 2 * all + largest;
  for (i = 0; i < n; i++) {
    e->y[i] = ldexp(1, b->exponent[i]);
    e->root[i] = sqrt(e->scale * e->y[i] * e->y[i] * e->K[i * n + i]);
    e->drift[i] = ldexp(c[i], b->exponent[i] - largest - all);
    b->exponent[i] += all;
    e->lower[i] = lower ? ldexp(lower[i], -b->exponent[i]) : -HUGE_VAL;
    e->upper[i] = upper ? ldexp(upper[i], -b->exponent[i]) : HUGE_VAL;
    e->g[i] = fmin(1e150, fmax(-1e150, ldexp(x[i], -b->exponent[i])));
    e->g[i] = fmin(e->upper[i], fmax(e->lower[i], e->g[i]));
  }
}

static void invman_i_box_hold(invman_i_margins *e, size_t i) { /* one that waits, at a bound */
  e->state[i] = e->g[i] <= e->lower[i] ? INVMAN_I_ABOVE : INVMAN_I_BELOW;
  e->pivots++;
}

/* All free points go by Newton's step to where their rates are zero. A point that meets its bound on the way stops
   there, and the others go on along what is left of the step for as long as the objective falls: then the next step is
   theirs alone. */
static void invman_i_box_descend(invman_i_margins *e) {
  size_t i, k, block;
  int cut = 1;
  memcpy(e->before, e->rate, e->n * sizeof *e->before);
  while (cut && invman_i_has_drifted(e)) {
    double *bend = e->column; /* Q times the step */
    for (k = 0; k < e->free_count; k++) {
      bend[k] = e->step[k] = -e->rate[e->free_list[k]];
      e->on_margin[k] = 0;
    }
    invman_i_forward(e, e->step);
    invman_i_backward(e, e->step);
    for (cut = 0;; cut = 1) {
      double fall = 0, curvature = 0, length = 1;
      for (k = 0; k < e->free_count; k++) {
        fall -= e->step[k] * e->rate[e->free_list[k]];
        curvature += e->step[k] * bend[k];
      }
      if (!(fall > 0)) break;
      if (cut && !(curvature > fall)) length = 1;
      else if (cut) length = fall / curvature;
      block = e->free_count;
      length = invman_i_reach(e, length, &block);
      for (k = 0; k < e->free_count; k++) {
        i = e->free_list[k];
        e->g[i] += length * e->step[k];
        e->change[i] += length * e->step[k];
        e->rate[i] += length * bend[k];
      }
      if (block == e->free_count) break;
      i = e->free_list[block];
      invman_i_set_bound(e, i, e->step[block] < 0 ? e->lower[i] : e->upper[i]);
      for (k = 0; k < e->free_count; k++) bend[k] -= e->step[block] * invman_i_q(e, e->free_list[k], i);
      e->step[block] = 0;
      e->on_margin[block] = 1;
    }
    for (k = e->free_count; k-- > 0 && cut;)
      if (e->on_margin[k]) {
        invman_i_box_hold(e, e->free_list[k]);
        invman_i_factor_remove(e, k);
      }
  }
  memcpy(e->rate, e->before, e->n * sizeof *e->rate);
  invman_i_add_rates(e, e->change);
  memset(e->change, 0, e->n * sizeof *e->change);
}

/* The points that come: of those that wait, the ones with the most wrong rates; b->wrong says how wrong. */
static size_t invman_i_box_choose(invman_i_box *b, size_t few, size_t *chosen) {
  invman_i_margins *e = &b->e;
  size_t count, i;
  for (count = 0; count < few; count++) {
    size_t most = e->n;
    for (i = 0; i < e->n; i++)
      if (b->wrong[i] > 0 && (most == e->n || b->wrong[i] > b->wrong[most])) most = i;
    if (most == e->n) break;
    b->wrong[most] = 0;
    chosen[count] = most;
  }
  return count;
}

static invman_status invman_i_box_rounds(invman_i_box *b) {
  invman_i_margins *e = &b->e;
  const invman_context *ctx = e->scope->ctx;
  size_t *chosen = e->on_margin, count, round = 0, i, k;
  invman_status status = INVMAN_OK;
  for (i = count = 0; i < e->n; i++) { /* a warm start's free points */
    e->state[i] = INVMAN_I_AT_BOUND;
    if (e->g[i] > e->lower[i] && e->g[i] < e->upper[i]) chosen[count++] = i;
    else invman_i_box_hold(e, i);
    e->weight += fabs(e->g[i]) * e->root[i];
  }
  e->pivots = 0;
  invman_i_refresh_rates(e);
  do {
    for (k = 0; k < count; k++) {
      double pivot;
      if (invman_i_factor_reserve(e) < 0) return e->scope->status;
      pivot = invman_i_factor_pivot(e, chosen[k]);
      e->state[chosen[k]] = INVMAN_I_AT_BOUND;
      if (invman_i_is_flat(e, chosen[k], pivot)) continue;
      invman_i_factor_append(e, chosen[k], pivot);
      e->pivots++;
    }
    invman_i_box_descend(e);
    status = invman_i_settle(e);
    for (i = 0; i < e->n && status == INVMAN_OK; i++) {
      double wrong = e->state[i] > INVMAN_I_ABOVE ? 0 : invman_i_wrong(e, i, e->g[i], e->rate[i]);
      b->wrong[i] = wrong > invman_i_rate_tol(e, i) ? wrong / e->root[i] : 0;
    }
    count = invman_i_box_choose(b, invman_i_max(INVMAN_I_BOX_FEW, e->free_count / 4), chosen);
    if (ctx && ctx->progress && ctx->progress("box qp", -1, ctx->user)) return INVMAN_STOPPED;
  } while (status == INVMAN_OK && count > 0 && round++ < e->n + 10);
  return status == INVMAN_OK && count > 0 ? INVMAN_NOT_CONVERGED : status;
}

/* The same from there on in twofold precision, by drives alone. */
static invman_status invman_i_box_exactly(invman_i_box *b) {
  invman_i_margins *e = &b->e;
  const invman_context *ctx = e->scope->ctx;
  invman_i_exact x;
  size_t round, count, i, k;
  int good = 1;
  if (invman_i_exact_reserve(&x, e) < 0) return e->scope->status;
  x.unit = e->scale;
  for (i = 0; i < e->n; i++) {
    x.root[i] = e->root[i];
    x.g[i] = invman_i_widen(e->g[i]);
    for (k = 0; k < e->n; k++) x.row[i] += fabs(invman_i_exact_q(&x, i, k));
  }
  if (invman_i_exact_factor_free(&x) < 0) return e->scope->status;
  invman_i_exact_all_rates(&x);
  for (k = 0; k < e->free_count; k++) x.step[k] = invman_i_wide_negative(x.rate[e->free_list[k]]);
  if (e->free_count > 0) {
    invman_i_exact_forward(&x, x.step);
    invman_i_exact_backward(&x, x.step);
  }
  for (k = 0; k < e->free_count; k++) {
    invman_i_wide to = invman_i_wide_add(x.g[i = e->free_list[k]], x.step[k]);
    good &= to.high > e->lower[i] && to.high < e->upper[i];
  }
  for (k = 0; k < e->free_count; k++) {
    i = e->free_list[k];
    if (good) x.g[i] = invman_i_wide_add(x.g[i], x.step[k]);
    else e->state[i] = INVMAN_I_AT_BOUND;
  }
  if (!good) e->free_count = 0;
  invman_i_exact_all_rates(&x);
  for (round = 0; round < 100 * (e->n + 10); round++) {
    invman_status status = invman_i_exact_settle(&x);
    for (i = 0; i < e->n; i++) {
      double wrong = e->state[i] > INVMAN_I_ABOVE ? 0 : invman_i_wrong(e, i, x.g[i].high, x.rate[i].high);
      b->wrong[i] = wrong > invman_i_exact_tol(&x, i) ? wrong / x.root[i] : 0;
      e->g[i] = fabs(x.g[i].high) < 1e-26 ? 0 : x.g[i].high; /* which is 0 but for rounding */
    }
    if (status != INVMAN_OK) return status;
    count = invman_i_box_choose(b, INVMAN_I_BOX_FEW, e->on_margin);
    if (count == 0) return INVMAN_OK;
    for (k = 0; k < count; k++) e->state[e->on_margin[k]] = INVMAN_I_AT_BOUND;
    if (ctx && ctx->progress && ctx->progress("box qp", -1, ctx->user)) return INVMAN_STOPPED;
  }
  return INVMAN_NOT_CONVERGED;
}

/* x and its certificate, from x, Q and c alone. */
static void invman_i_box_judge(invman_i_box *b, const double *lower, const double *upper, double *x,
                               invman_qp_info *info) {
  invman_i_margins *e = &b->e;
  invman_i_wide objective = invman_i_widen(0);
  double *z = e->work, *rate = e->work + e->n, *low = rate + e->n, weight = 0;
  size_t i, n = e->n;
  for (i = 0; i < n; i++) {
    x[i] = ldexp(e->g[i], b->exponent[i]);
    if (upper && (x[i] > upper[i] || e->g[i] >= e->upper[i])) x[i] = upper[i];
    if (lower && (x[i] < lower[i] || e->g[i] <= e->lower[i])) x[i] = lower[i];
    e->g[i] = ldexp(x[i], -b->exponent[i]);
    z[i] = e->scale * e->y[i] * e->g[i];
    weight += e->root[i] * fabs(e->g[i]);
    rate[i] = low[i] = 0;
  }
  invman_i_add_kernel(e, z, NULL, rate, low);
  info->pivots = e->pivots;
  info->residual = 0;
  for (i = 0; i < n; i++) {
    double size = e->root[i] * weight + fabs(e->drift[i]), wrong;
    invman_i_wide slope = invman_i_wide_plus(invman_i_two_sum(e->y[i] * rate[i], e->y[i] * low[i]), e->drift[i]);
    objective = invman_i_wide_add_product(objective, invman_i_wide_plus(slope, e->drift[i]), invman_i_widen(e->g[i]));
    wrong = slope.high == 0 ? 0 : invman_i_wrong(e, i, e->g[i], slope.high);
    if (wrong > 0) info->residual = invman_i_worst(info->residual, wrong / size);
  }
  info->objective = ldexp(0.5 * objective.high, b->energy);
}

static invman_status invman_i_check_box(const invman_context *ctx, const double *Q, const double *c,
                                        const double *lower, const double *upper, size_t n, const double *x) {
  size_t i;
  invman_status status;
  if (invman_i_mul(n, n) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "box_qp: sizes too large: their product overflows", "", 0);
  if (!Q || !c || !x || n == 0) return invman_i_bad(ctx, "box_qp: Q, c or x is NULL, or n is 0");
  status = invman_i_check_finite(ctx, Q, n * n, "box_qp: Q is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, c, n, "box_qp: c is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, x, n, "box_qp: x is not finite");
  for (i = 0; i < n && status == INVMAN_OK; i++) {
    double least = lower ? lower[i] : -HUGE_VAL, most = upper ? upper[i] : HUGE_VAL;
    if (Q[i * n + i] < 0)
      status = invman_i_fail(ctx, INVMAN_E_ARG, "box_qp: Q is negative on its diagonal", "element", i);
    else if (!(least <= most && least < HUGE_VAL && most > -HUGE_VAL))
      status = invman_i_fail(ctx, INVMAN_E_ARG, "box_qp: no number is within the bounds", "element", i);
  }
  return status;
}

invman_status invman_box_qp(const invman_context *ctx, const double *Q, const double *c, const double *lower,
                            const double *upper, size_t n, double *x, invman_qp_info *info) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_box b;
  invman_qp_info own;
  double *found;
  invman_status status;
  if (info) memset(info, 0, sizeof *info);
  status = invman_i_check_box(ctx, Q, c, lower, upper, n, x);
  if (status < 0) return status;
  memset(&b, 0, sizeof b);
  memset(&own, 0, sizeof own);
  b.e.K = Q;
  b.e.above_wanted = SIZE_MAX;
  b.exponent = (int *)invman_i_take(&scope, n, sizeof *b.exponent);
  b.wrong = invman_i_doubles(&scope, n);
  found = invman_i_doubles(&scope, n);
  if (invman_i_margins_reserve(&b.e, &scope, n) < 0) return invman_i_close(&scope);
  invman_i_box_scale(&b, c, lower, upper, x);
  status = invman_i_box_rounds(&b);
  if (status >= 0) invman_i_box_judge(&b, lower, upper, found, &own);
  if (status >= 0 && status != INVMAN_STOPPED && !(own.residual <= 1e-11)) {
    status = invman_i_box_exactly(&b);
    if (status >= 0) invman_i_box_judge(&b, lower, upper, found, &own);
  }
  if (status >= 0 && status != INVMAN_STOPPED) status = own.residual <= 1e-9 ? INVMAN_OK : INVMAN_NOT_CONVERGED;
  if (status >= 0 && (!invman_i_isfinite(own.objective) || !invman_i_isfinite(own.residual)))
    status = invman_i_fail(ctx, INVMAN_E_NONFINITE, "box_qp: the objective is not finite", "", 0);
  if (status >= 0)
    status = invman_i_check_finite(ctx, found, n, "box_qp: x is not finite") < 0 ? INVMAN_E_NONFINITE : status;
  if (status >= 0) {
    memcpy(x, found, n * sizeof *x);
    own.status = status;
    if (info) *info = own;
  }
  invman_i_close(&scope);
  return status;
}

/* ---- regression */

/* (1 - exp(-lambda rate))/lambda; by its series where that would cancel */
static double invman_i_risen(double lambda, double rate) {
  double u = lambda * rate, sum = 1;
  int k;
  if (u >= 1) return (1 - invman_i_exp(-u)) / lambda;
  for (k = 20; k > 1; k--) sum = 1 - invman_i_product(u / k, sum);
  return rate * sum;
}

static invman_status invman_i_check_regression(const invman_context *ctx, const double *K, const double *y, size_t n,
                                               const double *s, size_t times, const double *a) {
  size_t i;
  invman_status status;
  if (invman_i_mul(invman_i_max(n, times), n) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "lazy: sizes too large: their product overflows", "", 0);
  if (!K || !y || !s || !a || n == 0) return invman_i_bad(ctx, "lazy: K, y, s or a is NULL, or n is 0");
  status = invman_i_check_finite(ctx, K, n * n, "lazy: the kernel is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, y, n, "lazy: y is not finite");
  for (i = 0; i < times && status == INVMAN_OK; i++)
    if (!(s[i] >= 0)) status = invman_i_fail(ctx, INVMAN_E_ARG, "lazy: a time is negative or NaN", "element", i);
  return status;
}

invman_status invman_lazy_regression(const invman_context *ctx, const double *K, const double *y, size_t n,
                                     const double *s, size_t times, double *a) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_regression(ctx, K, y, n, s, times, a), eigen;
  double *V, *lambda, *part, *along, least;
  invman_i_gemm room;
  size_t i, k;
  if (status < 0 || times == 0) return status;
  V = (double *)invman_i_take_unset(&scope, invman_i_mul(n, n), sizeof(double));
  lambda = invman_i_doubles(&scope, n);
  part = invman_i_doubles(&scope, n);
  along = invman_i_doubles(&scope, invman_i_mul(times, n));
  room = invman_i_gemm_reserve(&scope, times, n);
  if (scope.status < 0) return invman_i_close(&scope);
  memcpy(V, K, n * n * sizeof *V);
  eigen = invman_eigh(ctx, n, V, lambda);
  if (eigen < 0) {
    invman_i_close(&scope);
    return eigen;
  }
  least = DBL_EPSILON * (double)n * lambda[0];
  if (!(lambda[n - 1] >= -1e-8 * lambda[0])) {
    invman_i_close(&scope);
    return invman_i_bad(ctx, "lazy: the kernel has a negative eigenvalue");
  }
  for (k = 0; k < n; k++) part[k] = invman_i_inner(V + k * n, y, n);
  for (i = 0; i < times; i++)
    for (k = 0; k < n; k++) {
      double rate = s[i] / (double)n, of_null = rate < HUGE_VAL ? rate : 0;
      along[i * n + k] = part[k] * (lambda[k] > least ? invman_i_risen(lambda[k], rate) : of_null);
    }
  memset(a, 0, times * n * sizeof *a);
  invman_i_product_add(ctx, &room, 1, invman_i_plain(along, times, n, n), invman_i_plain(V, n, n, n), a, n, 0);
  status = invman_i_check_result(ctx, a, times * n, "lazy: a coefficient is not finite");
  invman_i_close(&scope);
  return status < 0 ? status : eigen;
}

/* ========================================================================================================== >>smooth
   The margin step of the smooth losses: dm/ds = Q g(m) + c with the multiplier g = -l'(m). It takes implicit Euler
   steps, whose error, measured against two steps of half the length, is kept below a tolerance. The steps are implicit
   because the soft hinge is as stiff as it is sharp. A loss is an invman_i_loss: a new one adds its case to
   invman_i_loss_value, invman_i_multiplier and invman_i_is_near. */

typedef struct invman_i_loss {
  int kind;
  double beta;
} invman_i_loss;

static double invman_i_loss_value(const invman_i_loss *l, double m) {
  double x = 1 - m;
  if (l->kind == INVMAN_SOFT_HINGE) {
    x *= l->beta;
    return (fmax(x, 0) + invman_i_log1p(invman_i_exp(-fabs(x)))) / l->beta;
  }
  if (x <= 0) return 0;
  return l->kind == INVMAN_SQUARED_HINGE ? 0.5 * x * x : x;
}

/* g = -l'(m), and l'' */
static double invman_i_multiplier(const invman_i_loss *l, double m, double *curvature) {
  double g = m < 1;
  *curvature = 0;
  if (l->kind == INVMAN_SOFT_HINGE) {
    g = 1 / (1 + invman_i_exp(-l->beta * (1 - m)));
    *curvature = l->beta * g * (1 - g);
  } else if (l->kind == INVMAN_SQUARED_HINGE && m < 1) {
    g = 1 - m;
    *curvature = 1;
  }
  return g;
}

/* Whether a point with margin m that moves by up to `reach` may come to where g is neither 0 nor 1. */
static int invman_i_is_near(const invman_i_loss *l, double m, double reach) {
  if (l->kind == INVMAN_SOFT_HINGE) return l->beta * (fabs(1 - m) - reach) < 37; /* 1 - g rounds to 1 beyond */
  if (l->kind == INVMAN_SQUARED_HINGE) return m - reach < 1;
  return fabs(1 - m) <= reach;
}

static void invman_i_conjugate_gradients(invman_i_margins *e, double ds, const double *D, const double *b, double *u,
                                         double *work /* (3,n) */) {
  size_t n = e->n, i, k;
  double *r = work, *p = work + n, *q = work + 2 * n, rr = invman_i_inner(b, b, n), enough = 1e-6 * rr;
  memset(u, 0, n * sizeof *u);
  memcpy(r, b, n * sizeof *r);
  memcpy(p, b, n * sizeof *p);
  for (k = 0; k < 2 * n + 10 && rr > enough; k++) {
    double a, next;
    for (i = 0; i < n; i++) q[i] = D[i] * p[i];
    invman_i_times_q(e, q, q);
    for (i = 0; i < n; i++) q[i] = p[i] + ds * D[i] * q[i];
    a = rr / invman_i_inner(p, q, n);
    for (i = 0; i < n; i++) {
      u[i] += a * p[i];
      r[i] -= a * q[i];
    }
    next = invman_i_inner(r, r, n);
    for (i = 0; i < n; i++) p[i] = r[i] + next / rr * p[i];
    rr = next;
  }
}

/* Solves to = from + ds (Q g(to) + c) by Newton's method with halved steps until the residual is small enough, and
   leaves g(to) in e->g. Returns 0 if it finds no solution. */
static int invman_i_implicit_step(invman_i_margins *e, const invman_i_loss *loss, double ds, double enough,
                                  const double *from, double *to, double *work /* (8,n) */) {
  size_t n = e->n, i;
  double *R = work, *D = work + n, *b = work + 2 * n, *u = work + 3 * n, *delta = work + 4 * n, last = HUGE_VAL;
  int tries;
  memcpy(to, from, n * sizeof *to);
  for (tries = 0; tries < 50; tries++) {
    double worst = 0;
    for (i = 0; i < n; i++) {
      e->g[i] = invman_i_multiplier(loss, to[i], &D[i]);
      D[i] = sqrt(D[i]);
    }
    invman_i_times_q(e, e->g, R);
    for (i = 0; i < n; i++) {
      R[i] = to[i] - from[i] - ds * (R[i] + e->drift[i]);
      worst = invman_i_worst(worst, fabs(R[i]));
    }
    if (tries > 0 && worst <= enough) return 1;
    if (worst >= last) { /* too far: halfway back */
      for (i = 0; i < n; i++) to[i] -= delta[i] *= 0.5;
      continue;
    }
    last = worst;
    for (i = 0; i < n; i++) b[i] = -D[i] * R[i];
    invman_i_conjugate_gradients(e, ds, D, b, u, work + 5 * n);
    for (i = 0; i < n; i++) delta[i] = D[i] * u[i];
    invman_i_times_q(e, delta, delta);
    for (i = 0; i < n; i++) to[i] += delta[i] = -R[i] - ds * delta[i];
  }
  return 0;
}

/* The time between two states, as a share of the way, at which as many points as wanted were above their margin. */
static double invman_i_crossing(const invman_i_margins *e, const double *from, const double *to, size_t above) {
  double found = 1;
  size_t i, j;
  for (i = 0; i < e->n; i++) {
    double share = from[i] <= 1 && to[i] > 1 ? (1 - from[i]) / (to[i] - from[i]) : 2;
    size_t count = above;
    for (j = 0; j < e->n; j++) count += from[j] <= 1 && to[j] > 1 && (1 - from[j]) <= share * (to[j] - from[j]);
    if (share < found && count >= e->above_wanted) found = share;
  }
  return found;
}

enum { INVMAN_I_SMOOTH_TRIALS = 1000 }; /* more: the caller's step is too long */

static invman_status invman_i_smooth_run(invman_i_margins *e, const invman_i_loss *loss, double horizon, double tol) {
  size_t n = e->n, i;
  double *whole = e->work, *half = e->work + n, *end = e->work + 2 * n, *g = e->work + 3 * n,
         *scratch = e->work + 4 * n;
  double ds = horizon;
  size_t trials = 0;
  e->s = 0;
  e->free_count = e->events = 0;
  e->above_time = -1;
  for (i = 0, e->above = 0; i < n; i++) {
    e->above += e->m[i] > 1;
    e->impulse[i] = 0;
  }
  if (e->above >= e->above_wanted) e->above_time = 0;
  while (e->s < horizon) {
    double error = 0;
    size_t above = 0;
    int last = ds >= horizon - e->s, found;
    if (last) ds = horizon - e->s;
    if (e->s + ds <= e->s || trials++ > INVMAN_I_SMOOTH_TRIALS) return INVMAN_NOT_CONVERGED;
    found = invman_i_implicit_step(e, loss, ds, 1e-4 * tol, e->m, whole, scratch) &&
            invman_i_implicit_step(e, loss, ds / 2, 1e-4 * tol, e->m, half, scratch);
    memcpy(g, e->g, n * sizeof *g);
    found = found && invman_i_implicit_step(e, loss, ds / 2, 1e-4 * tol, half, end, scratch);
    for (i = 0; i < n; i++) error = invman_i_worst(error, fabs(whole[i] - end[i]));
    if (!found || !(error <= tol)) {
      ds *= found && error > 0 ? fmax(0.2, 0.9 * sqrt(tol / error)) : 0.25;
      continue;
    }
    for (i = 0; i < n; i++) {
      e->impulse[i] += ds / 2 * (g[i] + e->g[i]);
      above += end[i] > 1;
    }
    if (e->above_time < 0 && above >= e->above_wanted)
      e->above_time = e->s + ds * invman_i_crossing(e, e->m, end, e->above);
    e->above = above;
    memcpy(e->m, end, n * sizeof *end);
    e->s = last ? horizon : e->s + ds;
    ds *= fmin(4, 0.9 * sqrt(tol / fmax(error, 1e-300)));
  }
  return INVMAN_OK;
}

/* ================================================================================================= >>flow
   A step of the flow, in order. The margins move under the tangent kernel frozen at the middle of the step: this is the
   margin step, exact for the hinge. It gives the mean multiplier g of every point over the step. The backend moves the
   weights with these multipliers: neurons that a point holds at z = 0 get their mean gate (the held gates), and each
   neuron moves by its exact hyperbolic rotation (the neuron step). The margins that the network then really has, minus
   the predicted ones, are the error of the step. */

/* ---- the flow's state */

/* The training points, as the stepper and a backend share them. */
typedef struct invman_i_batch {
  invman_i_scope *scope; /* the flow's memory, and where an error goes and stays */
  const invman_data *train;
  const invman_flow_options *options;
  invman_flow_info *info;
  double unit;                     /* of r: sqrt(2)/(h p), or 1/p */
  double *r;                       /* (p) unit g y, the factor of a point's gradient in G */
  double *rate;                    /* (p) of the margin y F, over the last trial */
  double *next, *work;             /* (p) margins after the step; scratch */
  unsigned char *nearby;           /* (p) whether the point may come to its margin within the step */
  size_t *list, near_count, below; /* (p) the near points, then `below` points with g = 1, then those with g = 0 */
  size_t far_count;                /* points at the end of the list that are far above their margin */
  size_t *where;                   /* (p) place in the list */
  invman_i_margins margins;        /* of the near points */
  double *K;                       /* their Gram matrix */
  double speed;                    /* max |G_n| of the last move; 0 for a model, which does not rotate */
  int beyond;                      /* f, G or K is not finite in this trial, which is therefore too long */
  int refused;                     /* trials before this one that were no step */
} invman_i_batch;

/* A backend: what the stepper asks of what it moves, a network (>>flow_net) or a caller's model (>>flow_model). `self_`
   is the backend's own struct, which holds a pointer to the flow's batch; `here` are the trial's weights, where the
   last move left them. It may set the batch's r, speed, beyond and scope->status; once that is an error its functions
   may still be called, and do nothing. */
typedef struct invman_i_backend {
  int order; /* a trial's error grows with this power of its length: 2 or 3 */

  /* Once, when G of t = 0 is known: guesses the first step's length, at most span. */
  double (*start)(void *self_, double span);

  /* A trial of a step: begin() prepares a step of length span; gradient() makes G = (nearby: G +=) the sum of r df/dW
     over part of the list; rates() gives the rates of part of the list's margins along G, and gram() K of the near
     points, both here; move() goes from the step's start along G for a time dt. */
  void (*begin)(void *self_, double span);
  void (*gradient)(void *self_, size_t first, size_t count, int nearby);
  void (*rates)(void *self_, size_t first, size_t count, double *rate);
  void (*gram)(void *self_);
  void (*move)(void *self_, double dt);

  /* f at n points, with the weights here or at t = 0; a copy of self_, in batch's memory, that can evaluate n. */
  void (*evaluate)(void *self_, int initial, const double *x, size_t n, double *f);
  void *(*reader)(const void *self_, invman_i_batch *batch, size_t n);

  /* is_stationary() says whether the points' terms in G cancel up to this share of their sum; accept() makes the next
     step start here; put_back() returns to where it starts. */
  int (*is_stationary)(void *self_, double share);
  void (*accept)(void *self_);
  void (*put_back)(void *self_);

  /* For networks: Lambda, here or where the step starts; a bound on how far point i's margin is from where the step
     started; f of some points in the precision in use. Where the last two are NULL, which both are or neither, every
     trial looks at all points. */
  double (*lambda)(void *self_, int here);
  double (*reach)(void *self_, size_t i);
  void (*look)(void *self_, const size_t *list, size_t count, double *f);

  /* For callbacks that may be wrong: checks before a step, in a trial when its rates are known, and after the trial. */
  void (*check_step)(void *self_);
  void (*check_rates)(void *self_);
  void (*check_trial)(void *self_, double used, double error);
} invman_i_backend;

struct invman_flow {
  invman_i_scope scope;
  invman_context context;
  invman_flow_options options;
  invman_flow_info info;
  invman_i_loss loss;
  invman_status (*advance)(invman_flow *f); /* one step of the dynamics */
  const invman_i_backend *backend;
  void *self_;             /* the backend's */
  const invman_net *shown; /* to reports; NULL: a model's */
  invman_i_batch batch;

  double dt, typical;       /* the next step's length; a typical rate of a margin */
  double *f0, *margin;      /* (p) f at t = 0; y F */
  double *seen;             /* (p) when a margin was last looked at */
  double *gap, *gap_next;   /* (p) how far a margin can be from where it was when last looked at; after the step */
  double *predicted;        /* (p) margins after the step */
  double *f0_test, *f_test; /* (test n) */
  size_t *look;             /* (p) points whose margin is to be looked at */
  size_t gram_room;
};

/* ---- tolerances */

/* The flow is stationary if the points' terms in G cancel and leave no more than this share of their sizes' sum. After
   a good trial only the rounding of the sum may be left. If the margin step has found its points stationary, that is
   evidence by itself, and the kernel's rounding may be left too. A caller's model moves by differences of f, which
   cancel to some 1e-12 of themselves; what is left would move its margins for ever. */
static const double invman_i_share_at_rest = 1e-14, invman_i_share_of_kernel = 1e-12, invman_i_share_of_model = 1e-10;

/* ---- one trial of a step */

/* margin = y alpha (f - f_0) of some points in order, here; in double. */
static void invman_i_wide_margins(invman_flow *f, size_t first, size_t count, double *margin) {
  size_t i;
  f->backend->evaluate(f->self_, 0, f->batch.train->x + first * f->batch.train->d, count, margin);
  for (i = 0; i < count; i++)
    margin[i] = f->options.alpha * f->batch.train->y[first + i] * (margin[i] - f->f0[first + i]);
}

/* The margins of the points of a list, in the precision in use. */
static void invman_i_look(invman_flow *f, const size_t *list, size_t count, double *margin) {
  size_t k;
  if (count == 0) return;
  f->backend->look(f->self_, list, count, f->batch.work);
  for (k = 0; k < count; k++) {
    size_t i = list[k];
    margin[i] = f->options.alpha * f->batch.train->y[i] * (f->batch.work[k] - f->f0[i]);
  }
}

/* The largest error that single precision makes in the margins of some points in order, here. */
static double invman_i_single_error(invman_flow *f, size_t first, size_t count, const double *margin, const double *gap,
                                    double *wide) {
  double error = 0;
  size_t i;
  invman_i_wide_margins(f, first, count, wide);
  for (i = 0; i < count; i++)
    if (!(gap[first + i] > 0)) error = invman_i_worst(error, fabs(margin[first + i] - wide[i]));
  f->info.single_error = invman_i_worst(f->info.single_error, error);
  return error;
}

enum { INVMAN_I_CHECKS = 16 };

/* Whether this error can be neglected in a trial; it is measured on a part of the points, another part each time. */
static int invman_i_single_serves(invman_flow *f, double allowed) {
  size_t p = f->batch.train->n, part = (f->info.step + f->info.rejected) % INVMAN_I_CHECKS;
  size_t first = p * part / INVMAN_I_CHECKS, last = p * (part + 1) / INVMAN_I_CHECKS;
  if (!f->info.in_single) return 1;
  return invman_i_single_error(f, first, last - first, f->batch.next, f->gap_next, f->batch.work) <= 0.1 * allowed;
}

typedef struct invman_i_trial {
  double used;    /* the step's length; shorter than wanted where the frozen flow becomes stationary */
  double error;   /* largest difference between real and predicted margins */
  double turn;    /* largest |G_n| dt */
  double size;    /* largest |margin| after it */
  int stationary; /* the flow does not move at all */
} invman_i_trial;

/* ---- points far above their margin. Their multiplier is 0, so their rates are not worth a sweep. Nor are their
   margins, as long as the sum of the steps' bounds says that they stay far above. */

enum { INVMAN_I_FAR = 2 };

static double invman_i_far(const invman_flow *f, size_t i, double span) {
  return 1 + 8 * span * (fabs(f->batch.rate[i]) + f->typical);
}

/* The lowest that a margin can be. */
static double invman_i_lowest(const invman_flow *f, size_t i) { return f->margin[i] - f->gap[i]; }

/* Looks again, where the step starts, at the points that may not be far above their margin. Returns their number. */
static size_t invman_i_look_again(invman_flow *f, double span) {
  size_t count = 0, k;
  for (k = 0; k < f->batch.train->n; k++)
    if (f->gap[k] > 0 && !(invman_i_lowest(f, k) > invman_i_far(f, k, span))) f->look[count++] = k;
  if (count == 0) return 0;
  f->backend->put_back(f->self_);
  for (k = 0; k < count; k++) f->batch.next[f->look[k]] = f->margin[f->look[k]];
  invman_i_look(f, f->look, count, f->margin);
  for (k = 0; k < count; k++) {
    size_t i = f->look[k];
    f->gap[i] = 0;
    f->batch.rate[i] = (f->margin[i] - f->batch.next[i]) / (f->info.t - f->seen[i]);
    f->seen[i] = f->info.t;
  }
  return count;
}

/* The margins after a trial, of all points except those that are far above and stay there. */
static void invman_i_eval_margins(invman_flow *f, double *margin) {
  size_t p = f->batch.train->n, count = 0, i;
  if (!f->backend->look) {
    invman_i_wide_margins(f, 0, p, margin);
    return;
  }
  for (i = 0; i < p; i++) {
    double reach = f->backend->reach(f->self_, i);
    int stays = f->batch.nearby[i] == INVMAN_I_FAR && invman_i_lowest(f, i) - reach > 1 + f->options.margin_tol;
    f->gap_next[i] = stays ? f->gap[i] + reach : 0;
    margin[i] = f->margin[i];
    if (!stays) f->look[count++] = i;
  }
  invman_i_look(f, f->look, count, margin);
}

/* Marks the points that may come to their margin within a step: by their own rate with a margin of safety, or by a
   typical one, since rates change when others arrive. Returns how many. Others are so far above it that their rates
   are not worth a sweep. */
static size_t invman_i_mark_near(invman_flow *f, double span) {
  size_t count = 0, i;
  for (i = 0; i < f->batch.train->n; i++) {
    double approach = f->margin[i] < 1 ? f->batch.rate[i] : -f->batch.rate[i];
    int distant = f->backend->look && f->loss.kind == INVMAN_HINGE && invman_i_lowest(f, i) > invman_i_far(f, i, span);
    int nearby = invman_i_is_near(&f->loss, f->margin[i], span * (1.5 * fmax(0, approach) + 0.3 * f->typical));
    f->batch.nearby[i] = nearby ? 1 : distant ? INVMAN_I_FAR : 0;
    count += nearby != 0;
  }
  return count;
}

/* The length of a step, down to span/64, over which so few points are near that their Gram matrix takes O(p) memory. If
   even that is too long, the points arrive together, as those on a plateau of F do, and all are taken together. */
static double invman_i_fit_near(invman_flow *f, double span) {
  size_t most = invman_i_max(512, (size_t)(8 * sqrt((double)f->batch.train->n)));
  double part;
  if (f->loss.kind == INVMAN_HINGE)
    for (part = span; part > span / 65; part *= 0.5)
      if (invman_i_mark_near(f, part) <= most) return part;
  invman_i_mark_near(f, span);
  return span;
}

/* Sorts the points into near ones, those below their margin (g = 1) and those above it (g = 0). */
static void invman_i_split(invman_flow *f) {
  size_t p = f->batch.train->n, i, count = 0;
  int part;
  for (part = 0; part < 4; part++) {
    for (i = 0; i < p; i++)
      if ((f->batch.nearby[i] == 1 ? 0 : f->batch.nearby[i] == INVMAN_I_FAR ? 3 : f->margin[i] < 1 ? 1 : 2) == part) {
        f->batch.where[i] = count;
        f->batch.list[count++] = i;
        if (part > 0)
          f->batch.r[i] = part == 1 ? f->batch.unit * f->batch.train->y[i] : 0; /* near: the margin step's */
      }
    if (part == 0) f->batch.near_count = count;
    if (part == 1) f->batch.below = count - f->batch.near_count;
    if (part == 2) f->batch.far_count = p - count;
  }
}

static invman_status invman_i_near_reserve(invman_flow *f) {
  size_t n = f->batch.near_count, room;
  if (invman_i_margins_reserve(&f->batch.margins, &f->scope, n) < 0) return f->scope.status;
  if (n <= f->gram_room) return INVMAN_OK;
  room = invman_i_min(f->batch.train->n, n + n / 4 + 16);
  invman_i_give(&f->scope, f->batch.K);
  f->batch.K = invman_i_doubles(&f->scope, invman_i_mul(room, room));
  f->gram_room = f->batch.K ? room : 0;
  return f->scope.status;
}

static size_t invman_i_share(const invman_flow *f) { /* the number of points above their margin at t* */
  return (size_t)ceil(f->options.tstar_fraction * (double)f->batch.train->n * (1 - 1e-12));
}

static size_t invman_i_above_wanted(const invman_flow *f) { /* how many of them are near ones */
  size_t wanted = invman_i_share(f);
  return wanted - invman_i_min(wanted, f->batch.train->n - f->batch.near_count - f->batch.below);
}

/* Moves the near points' margins over the step, which gives their mean multipliers and how long the step can be. */
static invman_status invman_i_margin_step(invman_flow *f, double span, invman_i_trial *trial) {
  invman_i_margins *e = &f->batch.margins;
  size_t p = f->batch.train->n, n = f->batch.near_count, i;
  int stationary = 0;
  invman_status status = INVMAN_OK;
  trial->used = span;
  trial->stationary = n + f->batch.below == 0;
  if (n > 0) status = invman_i_near_reserve(f);
  if (n == 0 || status < 0) return status;

  /* The near points' kernel, and the drift that the points below their margin give them. */
  memset(e->drift, 0, n * sizeof *e->drift);
  if (f->batch.below > 0) f->backend->rates(f->self_, 0, n, e->drift);
  for (i = 0; i < n; i++) {
    e->y[i] = f->batch.train->y[f->batch.list[i]];
    e->m[i] = f->margin[f->batch.list[i]];
  }
  f->backend->gram(f->self_);
  if (f->scope.status < 0) return f->scope.status;
  if (f->batch.beyond) return INVMAN_NOT_CONVERGED;
  e->K = f->batch.K;
  e->scale = f->options.alpha / (double)p;
  e->above_wanted = invman_i_above_wanted(f);

  if (f->loss.kind == INVMAN_HINGE) status = invman_i_hinge_run(e, span, &stationary);
  else status = invman_i_smooth_run(e, &f->loss, span, 0.05 * f->options.margin_tol);
  if (status != INVMAN_OK) return status;

  if (stationary && f->batch.below == 0) trial->used = e->s; /* the clock does not run on while nothing moves */
  else if (stationary)                                       /* they stay where they are and keep their multipliers */
    for (i = 0; i < n; i++) e->impulse[i] += (span - e->s) * e->g[i];
  if (!(trial->used > 0)) {
    for (i = 0; i < n; i++) f->batch.r[f->batch.list[i]] = f->batch.unit * e->y[i] * e->g[i];
    f->backend->gradient(f->self_, 0, n, 1);
    trial->stationary = 1;
    return f->scope.status;
  }

  for (i = 0; i < n; i++) {
    f->batch.r[f->batch.list[i]] = f->batch.unit * e->y[i] * (e->impulse[i] / trial->used);
    f->predicted[f->batch.list[i]] = e->m[i];
  }
  f->backend->gradient(f->self_, 0, n, 1);
  return f->scope.status;
}

/* Predicts the other points' margins; returns how many of them turn out to be near. Far points move as they did. */
static size_t invman_i_predict_others(invman_flow *f, const invman_i_trial *trial) {
  size_t k, missed = 0, others = f->batch.train->n - f->batch.near_count - f->batch.far_count;
  for (k = 0; k < f->batch.far_count; k++) {
    size_t i = f->batch.list[f->batch.near_count + others + k];
    f->predicted[i] = f->margin[i] + trial->used * f->batch.rate[i];
  }
  if (others > 0) f->backend->rates(f->self_, f->batch.near_count, others, f->batch.work);
  for (k = 0; k < others && !f->batch.beyond; k++) {
    size_t i = f->batch.list[f->batch.near_count + k];
    f->batch.rate[i] = f->batch.work[k];
    f->predicted[i] = f->margin[i] + trial->used * f->batch.rate[i];
    if ((f->predicted[i] < 1) != (f->margin[i] < 1) || invman_i_is_near(&f->loss, f->predicted[i], 0)) {
      f->batch.nearby[i] = 1;
      missed++;
    }
  }
  return missed;
}

static invman_status invman_i_too_long(invman_i_trial *trial, double span) {
  trial->stationary = 0;
  trial->used = span;
  trial->error = HUGE_VAL;
  return INVMAN_OK;
}

/* Tries one step of length span from the present weights: sets the trial's weights, G and margins, and their error. */
static invman_status invman_i_try_step(invman_flow *f, double span, invman_i_trial *trial) {
  size_t p = f->batch.train->n, i;
  invman_status status;
  memset(trial, 0, sizeof *trial);
  f->batch.beyond = 0;
  f->backend->begin(f->self_, span);
  if (f->scope.status < 0) return f->scope.status;
  f->backend->move(f->self_, 0.5 * span); /* the middle of the step, as the last trial's G sees it */
  do {
    invman_i_split(f);
    f->backend->gradient(f->self_, f->batch.near_count, f->batch.below, 0);
    status = invman_i_margin_step(f, span, trial);
    if (status < 0) return status;
    if (status == INVMAN_NOT_CONVERGED || f->batch.beyond) return invman_i_too_long(trial, span);
    if (trial->stationary) /* the kernel's rounding may feign this */
      return f->backend->is_stationary(f->self_, invman_i_share_of_kernel) ? status : invman_i_too_long(trial, span);
  } while (invman_i_predict_others(f, trial) > 0);
  if (f->batch.beyond) return invman_i_too_long(trial, span);
  for (i = f->batch.near_count; i < p; i++) f->batch.work[i - f->batch.near_count] = f->batch.rate[f->batch.list[i]];
  if (f->batch.near_count < p) f->typical = invman_i_root_mean_square(f->batch.work, p - f->batch.near_count);
  for (i = 0; i < f->batch.near_count; i++)
    f->batch.rate[f->batch.list[i]] = (f->predicted[f->batch.list[i]] - f->margin[f->batch.list[i]]) / trial->used;
  if (f->backend->check_rates) f->backend->check_rates(f->self_);
  if (f->scope.status < 0) return f->scope.status;

  f->backend->move(f->self_, trial->used);
  trial->turn = f->batch.speed * trial->used;
  invman_i_eval_margins(f, f->batch.next);
  for (i = 0; i < p; i++) {
    int distant = f->batch.nearby[i] == INVMAN_I_FAR && f->batch.next[i] > 1 && f->batch.next[i] <= DBL_MAX;
    if (distant && f->gap_next[i] > 0) continue;
    if (distant) f->batch.rate[i] = (f->batch.next[i] - f->margin[i]) / (trial->used + (f->info.t - f->seen[i]));
    else trial->error = invman_i_worst(trial->error, fabs(f->batch.next[i] - f->predicted[i]));
    trial->size = fmax(trial->size, fabs(f->batch.next[i]));
  }
  if (f->backend->check_trial) f->backend->check_trial(f->self_, trial->used, trial->error);
  return f->scope.status;
}

/* ---- the chain of steps */

static void invman_i_measure(invman_flow *f) { /* the info's view of the margins and the network */
  size_t p = f->batch.train->n, i;
  invman_flow_info *info = &f->info;
  info->loss = 0;
  info->unsatisfied = 0;
  info->margin_min = HUGE_VAL;
  for (i = 0; i < p; i++) {
    info->loss += invman_i_loss_value(&f->loss, f->margin[i]) / (double)p;
    info->unsatisfied += !(f->margin[i] > 1 - f->options.margin_stop);
    info->margin_min = fmin(info->margin_min, f->margin[i]);
  }
  if (f->backend->lambda) info->lambda = f->backend->lambda(f->self_, 0);
  info->lambda_max = fmax(info->lambda_max, info->lambda);
}

static invman_status invman_i_end(invman_flow *f, int end) {
  f->info.end = end;
  f->info.status = end == INVMAN_END_SATISFIED  ? INVMAN_OK
                   : end == INVMAN_END_REST     ? INVMAN_NOT_SEPARABLE
                   : end == INVMAN_END_ROUNDING ? INVMAN_NOT_CONVERGED
                                                : INVMAN_STOPPED;
  return f->info.status;
}

/* At an end that is not a pause of the caller's. */
static int invman_i_is_over(const invman_flow *f) {
  int end = f->info.end;
  return end != INVMAN_END_NONE && end != INVMAN_END_REPORT && end != INVMAN_END_PROGRESS;
}

/* t* and Lambda there, from the events of the step just made. */
static void invman_i_locate_t_star(invman_flow *f, const invman_i_trial *trial) {
  const invman_i_margins *e = &f->batch.margins;
  double after = f->batch.near_count > 0 ? e->above_time : invman_i_above_wanted(f) > 0 ? -1 : 0;
  if (f->info.t_star > 0 || after < 0) return;
  after = fmin(after, trial->used);
  f->info.t_star = f->info.t + after;
  f->backend->move(f->self_, after);
  if (f->backend->lambda) f->info.lambda_star = f->backend->lambda(f->self_, 1);
  f->backend->move(f->self_, trial->used);
}

/* Computes all margins at the end of the last step in double; the info gets the error of single precision. */
static void invman_i_widen_margins(invman_flow *f) {
  size_t i;
  f->backend->put_back(f->self_);
  invman_i_single_error(f, 0, f->batch.train->n, f->margin, f->gap, f->batch.next);
  memcpy(f->margin, f->batch.next, f->batch.train->n * sizeof *f->margin);
  for (i = 0; i < f->batch.train->n; i++) { /* all have been looked at now */
    f->gap[i] = 0;
    f->seen[i] = f->info.t;
  }
  invman_i_measure(f);
}

/* Goes on in double. Returns whether the flow was in single precision. */
static int invman_i_leave_single(invman_flow *f) {
  if (!f->info.in_single) return 0;
  invman_i_widen_margins(f);
  f->info.in_single = 0;
  return 1;
}

static void invman_i_accept(invman_flow *f, double dt) {
  double *margin = f->margin, *gap = f->gap;
  size_t i;
  f->backend->accept(f->self_);
  f->margin = f->batch.next;
  f->batch.next = margin;
  f->gap = f->gap_next;
  f->gap_next = gap;
  f->info.t += dt;
  for (i = 0; i < f->batch.train->n; i++)
    if (!(f->gap[i] > 0)) f->seen[i] = f->info.t;
  f->info.dt = dt;
  f->info.step++;
  invman_i_measure(f);
}

/* The end that the limits set, if any. */
static invman_status invman_i_check_limits(invman_flow *f) {
  const invman_flow_options *o = &f->options;
  if (f->info.unsatisfied == 0 && f->info.in_single) {
    invman_i_widen_margins(f);
    f->info.in_single = f->info.unsatisfied == 0;
  } else if (f->info.unsatisfied == 0 && invman_i_look_again(f, HUGE_VAL) > 0) {
    invman_i_measure(f);
  }
  if (f->info.unsatisfied == 0) return invman_i_end(f, INVMAN_END_SATISFIED);
  if (o->t_max > 0 && f->info.t >= o->t_max) return invman_i_end(f, INVMAN_END_T_MAX);
  if (o->step_max > 0 && f->info.step >= o->step_max) return invman_i_end(f, INVMAN_END_STEP_MAX);
  return invman_i_end(f, INVMAN_END_NONE);
}

typedef struct invman_i_span {
  double wanted; /* the length of a step after what the last trial was like */
  double chosen; /* the same, or shorter where too many points would be near */
  int last;      /* it ends at t_max */
} invman_i_span;

static invman_i_span invman_i_choose_span(invman_flow *f) {
  const invman_flow_options *o = &f->options;
  invman_i_span span;
  span.wanted = fmin(f->dt, o->rotation_tol / f->batch.speed);
  span.last = o->t_max > 0 && span.wanted >= (o->t_max - f->info.t) * (1 - 1e-12);
  if (span.last) span.wanted = o->t_max - f->info.t;
  invman_i_look_again(f, span.wanted);
  span.chosen = invman_i_fit_near(f, span.wanted);
  span.last = span.last && span.chosen == span.wanted;
  return span;
}

/* The factor from a trial's length to one that nearly exhausts what is allowed: turns of rotation_tol, errors of
   `enough`. */
static double invman_i_growth(const invman_flow *f, const invman_i_trial *trial, double enough) {
  double ratio = enough / trial->error, factor = f->backend->order == 2 ? sqrt(ratio) : invman_i_cbrt(ratio);
  return fmin(0.9 * f->options.rotation_tol / trial->turn, 0.9 * factor);
}

/* The trial becomes the step. */
static invman_status invman_i_take_step(invman_flow *f, const invman_i_span *span, const invman_i_trial *trial,
                                        double growth) {
  int last = span->last && trial->used == span->chosen;
  invman_i_locate_t_star(f, trial);
  if (f->scope.status < 0) return f->scope.status;
  f->info.sliding = f->batch.near_count > 0 ? f->batch.margins.free_count : 0;
  f->info.events += f->batch.near_count > 0 ? f->batch.margins.events : 0;
  invman_i_accept(f, trial->used);
  if (last) f->info.t = f->options.t_max;
  else if (!(span->chosen < span->wanted)) { /* no growth after a rejection, no collapse where it was soon stationary */
    growth = fmin(f->batch.refused > 0 ? 1 : 2, fmax(0.5, growth));
    f->dt = fmax(trial->used * growth, trial->used < span->chosen ? 0.1 * span->chosen : 0);
  }
  return INVMAN_OK;
}

/* The next trial is shorter. */
static void invman_i_refuse_step(invman_flow *f, const invman_i_trial *trial, double growth) {
  f->info.rejected++;
  f->dt = trial->used * (trial->error < HUGE_VAL ? fmin(0.9, fmax(0.2, growth)) : 0.2);
  if (!(f->dt < trial->used)) f->dt = 0; /* the least subnormal: there is nothing shorter */
}

/* One step of the chain: trials, until one is good enough. An end that single precision sees must be seen in double. */
static invman_status invman_i_event_step(invman_flow *f) {
  const invman_flow_options *o = &f->options;
  /* Near the end the error must not exceed the largest distance that is left. */
  double allowed = fmin(o->margin_tol, 0.3 * fmax(1 - f->info.margin_min, o->margin_stop)), longest = 0;
  if (f->backend->check_step) f->backend->check_step(f->self_);
  if (f->scope.status < 0) return f->scope.status;
  for (f->batch.refused = 0;; f->batch.refused++) {
    invman_i_span span = invman_i_choose_span(f);
    invman_i_trial trial;
    invman_status status;
    double enough, growth;
    longest = fmax(longest, span.chosen); /* at t = 0 no step is too short for the clock */
    if (!(f->info.t + span.chosen > f->info.t && span.chosen > 1e-18 * longest)) {
      if (invman_i_leave_single(f)) continue;
      return invman_i_end(f, INVMAN_END_ROUNDING);
    }

    status = invman_i_try_step(f, span.chosen, &trial);
    if (status < 0) return status;
    if (trial.stationary || (trial.error <= allowed && f->backend->is_stationary(f->self_, invman_i_share_at_rest))) {
      if (invman_i_leave_single(f)) continue;
      return invman_i_end(f, INVMAN_END_REST);
    }
    if (f->scope.status < 0) return f->scope.status;
    if (trial.error < HUGE_VAL && !invman_i_single_serves(f, allowed)) {
      f->info.rejected++;
      invman_i_leave_single(f);
      continue;
    }

    enough =
        o->relative_tol > 0 ? fmin(allowed, o->relative_tol * trial.size) : allowed; /* outputs grow from nothing */
    growth = invman_i_growth(f, &trial, enough);
    if (trial.turn <= 1.001 * o->rotation_tol && trial.error <= enough)
      return invman_i_take_step(f, &span, &trial, growth);
    invman_i_refuse_step(f, &trial, growth);
  }
}

/* The gradient of the loss where the weights are, at all points. */
static void invman_i_gradient_at(invman_flow *f, const double *margin) {
  size_t p = f->batch.train->n, count = 0, i;
  for (i = 0; i < p; i++) {
    double curvature;
    f->batch.r[i] = f->batch.unit * f->batch.train->y[i] * invman_i_multiplier(&f->loss, margin[i], &curvature);
    if (f->batch.r[i] != 0) f->batch.list[count++] = i;
  }
  f->backend->gradient(f->self_, 0, count, 0);
}

invman_status invman_flow_step(invman_flow *f) {
  invman_status status;
  if (!f) return INVMAN_E_ARG;
  if (f->scope.status < 0) return f->scope.status; /* out of memory before: its arrays may be gone */
  if (invman_i_is_over(f)) return f->info.status;
  invman_i_end(f, INVMAN_END_NONE);
  status = f->advance(f);
  f->backend->put_back(f->self_);
  return status == INVMAN_OK ? invman_i_check_limits(f) : status;
}

static invman_status invman_i_test_error(invman_flow *f) {
  const invman_data *test = f->options.test;
  size_t i, wrong = 0;
  if (!test) return INVMAN_OK;
  f->backend->evaluate(f->self_, 0, test->x, test->n, f->f_test);
  for (i = 0; i < test->n; i++) wrong += !(test->y[i] * (f->f_test[i] - f->f0_test[i]) > 0);
  f->info.test_error = (double)wrong / (double)test->n;
  return f->scope.status;
}

invman_status invman_flow_run(invman_flow *flow) {
  const invman_flow_options *o;
  const invman_context *ctx;
  invman_flow_info *info;
  if (!flow) return INVMAN_E_ARG;
  o = &flow->options;
  ctx = &flow->context;
  info = &flow->info;
  if (flow->scope.status < 0) return flow->scope.status;
  if (invman_i_is_over(flow)) return info->status;
  do {
    double satisfied;
    invman_status status = invman_flow_step(flow);
    if (status < 0) return status;
    if (info->end != INVMAN_END_NONE || (o->report && info->step % o->report_every == 0)) {
      status = invman_i_test_error(flow);
      if (status < 0) return status;
      if (o->report && o->report(info, flow->shown, o->user) && info->end == INVMAN_END_NONE)
        invman_i_end(flow, INVMAN_END_REPORT);
    }
    satisfied = 1 - (double)info->unsatisfied / (double)flow->batch.train->n;
    if (ctx->progress && ctx->progress("flow", satisfied, ctx->user) && info->end == INVMAN_END_NONE) {
      status = invman_i_test_error(flow);
      if (status < 0) return status;
      invman_i_end(flow, INVMAN_END_PROGRESS);
    }
  } while (info->end == INVMAN_END_NONE);
  return info->status;
}

const invman_flow_info *invman_flow_get_info(const invman_flow *flow) { return flow ? &flow->info : NULL; }

invman_status invman_flow_predict(const invman_flow *flow, const double *x, size_t n, double *F) {
  invman_i_scope scope;
  invman_i_batch batch;
  double *f0;
  void *reader;
  size_t i;
  if (!flow) return INVMAN_E_ARG;
  if (flow->scope.status < 0) return flow->scope.status;
  if (n == 0 || !x || !F) return invman_i_bad(&flow->context, "flow_predict: no points, or nowhere to put F");
  scope = invman_i_open(&flow->context);
  batch = flow->batch;
  batch.scope = &scope;
  f0 = invman_i_doubles(&scope, n);
  reader = flow->backend->reader(flow->self_, &batch, n);
  if (scope.status < 0) return invman_i_close(&scope);
  scope.status = invman_i_check_finite(scope.ctx, x, invman_i_mul(n, batch.train->d), "x");
  if (scope.status < 0) return invman_i_close(&scope);
  flow->backend->evaluate(reader, 1, x, n, f0);
  flow->backend->evaluate(reader, 0, x, n, F);
  for (i = 0; i < n; i++) F[i] = flow->options.alpha * (F[i] - f0[i]);
  if (scope.status == INVMAN_OK) scope.status = invman_i_check_result(scope.ctx, F, n, "flow_predict: F is not finite");
  return invman_i_close(&scope);
}

/* ---- making a flow */

static invman_status invman_i_resolve_options(const invman_context *ctx, invman_flow_options *o) {
  o->alpha = invman_i_or(o->alpha, 1e-6);
  o->loss_beta = invman_i_or(o->loss_beta, 20);
  o->rotation_tol = invman_i_or(o->rotation_tol, 0.1);
  o->margin_tol = invman_i_or(o->margin_tol, 0.1);
  o->margin_stop = invman_i_or(o->margin_stop, 2e-3);
  o->tstar_fraction = invman_i_or(o->tstar_fraction, 0.1);
  o->max_dgrad = invman_i_or(o->max_dgrad, 1e-3);
  o->max_dout = invman_i_or(o->max_dout, 0.1);
  o->d_par = invman_i_max(o->d_par, 1);
  o->report_every = invman_i_max(o->report_every, 1);
  if (!(o->alpha > 0 && o->alpha <= DBL_MAX)) return invman_i_bad(ctx, "flow: alpha must be positive and finite");
  if (o->loss < INVMAN_HINGE || o->loss > INVMAN_SQUARED_HINGE) return invman_i_bad(ctx, "flow: unknown loss");
  if (!(o->loss_beta > 0 && o->loss_beta <= DBL_MAX)) return invman_i_bad(ctx, "flow: loss_beta must be positive");
  if (!(o->rotation_tol > 0 && o->rotation_tol <= 1)) return invman_i_bad(ctx, "flow: rotation_tol must be in (0,1]");
  if (!(o->relative_tol >= 0 && o->relative_tol <= 1)) return invman_i_bad(ctx, "flow: relative_tol must be in (0,1]");
  if (!(o->margin_tol > 0 && o->margin_tol <= 1)) return invman_i_bad(ctx, "flow: margin_tol must be in (0,1]");
  if (!(o->margin_stop > 0 && o->margin_stop < 1)) return invman_i_bad(ctx, "flow: margin_stop must be in (0,1)");
  if (!(o->tstar_fraction > 0 && o->tstar_fraction <= 1))
    return invman_i_bad(ctx, "flow: tstar_fraction must be in (0,1]");
  if (!(o->t_max >= 0 && o->t_max <= DBL_MAX)) return invman_i_bad(ctx, "flow: t_max must be finite and not negative");
  if (o->dynamics != INVMAN_EVENT_DRIVEN && o->dynamics != INVMAN_MOMENTUM)
    return invman_i_bad(ctx, "flow: unknown dynamics");
  if (!(o->momentum >= 0 && o->momentum <= DBL_MAX))
    return invman_i_bad(ctx, "flow: momentum must be finite and not negative");
  if (!(o->max_dgrad > 0 && o->max_dout > 0)) return invman_i_bad(ctx, "flow: max_dgrad, max_dout must be positive");
  return INVMAN_OK;
}

/* The conditions that every flow sets on its data; d: the number of the network's or model's inputs. */
static invman_status invman_i_check_flow(const invman_context *ctx, size_t d, const invman_data *train,
                                         invman_flow_options *o) {
  size_t i;
  invman_status status = invman_i_check_data(ctx, train);
  if (status == INVMAN_OK) status = invman_i_resolve_options(ctx, o);
  if (status == INVMAN_OK && o->test) status = invman_i_check_data(ctx, o->test);
  if (status < 0) return status;
  if (train->d != d || (o->test && o->test->d != d))
    return invman_i_bad(ctx, "flow: the data have another dimension than the network");
  for (i = 1; i < train->n && train->y[i] == train->y[0]; i++) {}
  if (train->n > 1 && i == train->n) return invman_i_bad(ctx, "flow: all labels are equal");
  return INVMAN_OK;
}

/* A flow with the memory that every flow needs. */
static invman_status invman_i_flow_take(const invman_context *ctx, const invman_data *train,
                                        const invman_flow_options *o, invman_flow **out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_flow *f = (invman_flow *)invman_i_take(&scope, 1, sizeof *f);
  size_t p = train->n, tests = o->test ? o->test->n : 0;
  if (!f) return invman_i_close(&scope);
  f->scope = scope;
  if (ctx) f->context = *ctx;
  f->scope.ctx = &f->context;
  f->options = *o;
  f->batch.scope = &f->scope;
  f->batch.train = train;
  f->batch.options = &f->options;
  f->batch.info = &f->info;
  f->advance = invman_i_event_step;
  f->loss.kind = o->loss;
  f->loss.beta = o->loss_beta;
  f->info.test_error = -1;
  f->f0 = invman_i_doubles(&f->scope, p);
  f->margin = invman_i_doubles(&f->scope, p);
  f->gap = invman_i_doubles(&f->scope, p);
  f->seen = invman_i_doubles(&f->scope, p);
  f->gap_next = invman_i_doubles(&f->scope, p);
  f->batch.rate = invman_i_doubles(&f->scope, p);
  f->batch.r = invman_i_doubles(&f->scope, p);
  f->batch.next = invman_i_doubles(&f->scope, p);
  f->predicted = invman_i_doubles(&f->scope, p);
  f->batch.work = invman_i_doubles(&f->scope, p);
  f->f0_test = invman_i_doubles(&f->scope, tests);
  f->f_test = invman_i_doubles(&f->scope, tests);
  f->batch.nearby = (unsigned char *)invman_i_take(&f->scope, p, 1);
  f->batch.list = (size_t *)invman_i_take(&f->scope, p, sizeof(size_t));
  f->batch.where = (size_t *)invman_i_take(&f->scope, p, sizeof(size_t));
  f->look = (size_t *)invman_i_take(&f->scope, p, sizeof(size_t));
  *out = f;
  return INVMAN_OK;
}

static invman_status invman_i_made(invman_flow *f, invman_flow **out) {
  invman_i_scope scope = f->scope; /* which holds f */
  if (scope.status < 0) return invman_i_close(&scope);
  *out = f;
  return INVMAN_OK;
}

/* f_0 */
static void invman_i_eval_start(invman_flow *f) {
  const invman_data *test = f->options.test;
  f->backend->evaluate(f->self_, 1, f->batch.train->x, f->batch.train->n, f->f0);
  if (test) f->backend->evaluate(f->self_, 1, test->x, test->n, f->f0_test);
}

/* A guess of the first step's length; the step control corrects it. */
static double invman_i_first_step(const invman_flow *f) {
  double fastest = invman_i_largest(f->batch.rate, f->batch.train->n);
  double guess = f->backend->start(f->self_, 0.5 / fastest);
  return f->options.dynamics == INVMAN_MOMENTUM ? 1 : guess;
}

/* A flow whose weights of t = 0 are in place. */
static invman_status invman_i_start_flow(invman_flow *f, invman_flow **out) {
  invman_i_scope scope;
  f->backend->put_back(f->self_);
  invman_i_eval_start(f);
  if (f->scope.status == INVMAN_OK)
    f->scope.status = invman_i_check_finite(&f->context, f->f0, f->batch.train->n, "flow: f_0 is not finite");
  invman_i_split(f); /* all margins are 0: every multiplier is 1 */
  f->batch.beyond = 0;
  if (f->options.dynamics == INVMAN_MOMENTUM) invman_i_gradient_at(f, f->margin);
  else f->backend->gradient(f->self_, 0, f->batch.train->n, 0);
  if (f->batch.beyond && f->scope.status == INVMAN_OK)
    f->scope.status = invman_i_fail(&f->context, INVMAN_E_NONFINITE, "flow: the gradient is not finite", "", 0);
  if (f->options.dynamics == INVMAN_EVENT_DRIVEN) f->backend->rates(f->self_, 0, f->batch.train->n, f->batch.rate);
  f->typical = invman_i_root_mean_square(f->batch.rate, f->batch.train->n);
  f->backend->move(f->self_, 0);
  f->dt = invman_i_first_step(f);
  invman_i_measure(f);
  invman_i_end(f, INVMAN_END_NONE);
  f->backend->put_back(f->self_);
  scope = f->scope;
  if (scope.status < 0) return invman_i_close(&scope);
  *out = f;
  return INVMAN_OK;
}

void invman_flow_free(invman_flow *flow) {
  invman_i_scope scope;
  if (!flow) return;
  scope = flow->scope;
  invman_i_close(&scope);
}

static invman_status invman_i_run_and_free(invman_flow *flow, invman_flow_info *info) {
  invman_status status = invman_flow_run(flow);
  if (info && status >= 0) *info = flow->info;
  invman_flow_free(flow);
  return status;
}

INVMAN_I_HOT

/* ======================================================================================================== >>flow_net
   The backend of a network. Its neurons move by exact rotations, and a point may hold a neuron where it changes
   sides. */

typedef struct invman_i_net_flow {
  invman_i_batch *batch;
  invman_net *net;
  invman_i_pack start, trial, grad; /* weights at t = 0; of the step in hand; G of the last trial */
  double *square;                   /* (p) |x~|^2 = |x|^2/d + 1 */
  double reach;                     /* |f - f'| <= reach |x~| between the step's start and the trial */
  double *partial;                  /* partial sums of a sweep */
  invman_i_pack narrow[2];          /* option single: room for trial and grad in single precision */
  float *x_narrow;                  /* (p,d) option single: the points */
  invman_i_gram gram;
  invman_i_held *held, *held_next; /* by neuron */
  size_t held_count, held_room;    /* room per group */
  size_t *group_count;
} invman_i_net_flow;

static invman_i_points invman_i_listed(const invman_i_net_flow *f, size_t first, size_t count) {
  invman_i_points p = invman_i_points_of(f->batch->train->x, f->batch->list + first, count, f->batch->train->d);
  p.narrow = f->x_narrow;
  return p;
}

static const invman_i_pack *invman_i_narrow(const invman_i_net_flow *f) {
  return f->batch->info->in_single ? f->narrow : NULL;
}

/* v.x~ of one neuron, or G.x~ */
static double invman_i_neuron_dot(const double *v, const double *x, size_t d) {
  double sum = v[d * INVMAN_I_WIDTH];
  size_t k;
  for (k = 0; k < d; k++) sum += v[k * INVMAN_I_WIDTH] * x[k];
  return sum;
}

/* ---- the neuron step. With G constant, dv/dt = beta G, dbeta/dt = v.G (Eq. 4) turns (v.G/|G|, beta) hyperbolically:
   beta^2 - |v|^2 is conserved to rounding. */

static void invman_i_hyperbolic(double x, double *cosh_minus_1, double *sinh_x) {
  double half = x < 0.5 ? 0.5 * x : 0, y = half * half; /* sinh of half the angle, whose square is what cosh needs */
  double s = half * (1 + y / 6 * (1 + y / 20 * (1 + y / 42 * (1 + y / 72 * (1 + y / 110 * (1 + y / 156))))));
  if (x >= 0.5) s = invman_i_sinh(0.5 * x);
  *cosh_minus_1 = 2 * s * s;
  *sinh_x = 2 * s * sqrt(1 + s * s);
}

typedef struct invman_i_turn {
  const invman_i_net_flow *flow;
  double dt, *speed, *path; /* (groups) max |G_n| of a group; sum of what bounds the change of beta_n z_n by |x~| */
} invman_i_turn;

static void invman_i_turn_group(size_t task, void *arg) {
  const invman_i_turn *s = (const invman_i_turn *)arg;
  const invman_i_net_flow *f = s->flow;
  size_t d = f->net->d, width = invman_i_group(f->trial.panels) * INVMAN_I_WIDTH, n, k;
  double scale = 1 / sqrt((double)d), speed = 0, path = 0;
  for (n = task * width; n < invman_i_min((task + 1) * width, f->net->h); n++) {
    const double *w = f->net->w + n * d, *g = invman_i_neuron(&f->grad, n);
    double *v = invman_i_neuron(&f->trial, n), beta = f->net->beta[n], b = f->net->b[n];
    double gb = g[d * INVMAN_I_WIDTH], size = 0, norm = 0, along = 0, c = 0, sh = 0, shift = 0, distance;
    for (k = 0; k < d; k++) {
      norm += w[k] * w[k];
      size += g[k * INVMAN_I_WIDTH] * g[k * INVMAN_I_WIDTH];
      along += w[k] * scale * g[k * INVMAN_I_WIDTH];
    }
    size = sqrt(size * (double)d + gb * gb);
    if (size > 0) {
      along = (along * (double)d + b * gb) / size;
      invman_i_hyperbolic(size * s->dt, &c, &sh);
      shift = (along * c + beta * sh) / size;
    }
    for (k = 0; k < d; k++) v[k * INVMAN_I_WIDTH] = w[k] * scale + shift * g[k * INVMAN_I_WIDTH];
    v[d * INVMAN_I_WIDTH] = b + shift * gb;
    v[(d + 1) * INVMAN_I_WIDTH] = beta + (beta * c + along * sh);
    speed = invman_i_worst(speed, size);
    distance = fabs(shift) * size; /* of (omega, b); |beta' z' - beta z| <= |beta| |z' - z| + |beta' - beta| |z'| */
    path += fabs(beta) * distance + fabs(beta * c + along * sh) * (sqrt(norm + b * b) + distance);
  }
  s->speed[task] = speed;
  s->path[task] = path;
}

INVMAN_I_INLINE void invman_i_held_z_body(size_t task, void *arg, const int L) {
  invman_i_net_flow *f = (invman_i_net_flow *)arg;
  const invman_i_pack *net = L < 0 ? f->narrow : &f->trial;
  size_t width = L < 0 ? 2 * INVMAN_I_WIDTH : INVMAN_I_WIDTH, d = f->batch->train->d, k, a;
  for (k = task; k < f->held_count; k++) {
    invman_i_held *h = &f->held[k];
    const void *x[INVMAN_I_POINTS];
    invman_i_tile v;
    invman_i_sums z;
    for (a = 0; a < INVMAN_I_POINTS; a++)
      x[a] = L < 0 ? (const void *)(f->x_narrow + h->i * d) : (const void *)(f->batch->train->x + h->i * d);
    if (L < 0 && (k == 0 || h->n / width != h[-1].n / width)) invman_i_narrow_panel(&f->trial, net, h->n / width);
    invman_i_tile_of(v, net, h->n / width, 1);
    invman_i_dot(z, v, d, x, 0, 1, L);
    h->z = L < 0 ? (double)z[0][0].f[h->n % width] : z[0][0].d[h->n % width];
  }
}
INVMAN_I_KERNELS(invman_i_held_z)

/* trial = the network turned for a time dt by G. */
static void invman_i_net_move(void *self_, double dt) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  invman_i_batch *batch = f->batch;
  double speed[INVMAN_I_MOST_GROUPS] = {0}, path[INVMAN_I_MOST_GROUPS] = {0};
  size_t groups = invman_i_groups(f->trial.panels), g;
  invman_i_turn s;
  s.flow = f;
  s.dt = dt;
  s.speed = speed;
  s.path = path;
  invman_i_parallel(batch->scope->ctx, groups, invman_i_turn_group, &s,
                    6 * (double)f->net->h * (double)(f->net->d + 4));
  for (g = 0, batch->speed = f->reach = 0; g < groups; g++) {
    batch->speed = invman_i_worst(batch->speed, speed[g]);
    f->reach += path[g] * sqrt(2.0) / (double)f->net->h;
  }
  (batch->info->in_single ? invman_i_held_z_single(batch->scope->ctx) : invman_i_held_z(batch->scope->ctx))(0, f);
}

/* ---- held gates. If a point drives a neuron's z at that point down (beta r < 0) while the other points drive it up,
   it holds the neuron at z = 0. There the activation's derivative may take any share of its jump (the differential
   inclusion again), and the flow takes the share that keeps z at zero. Over a step this is the gate in (0,1) that
   leaves z = 0 at the end. Plain gates would chatter between 0 and 1, and so would all neurons held at that point. */

enum {
  INVMAN_I_HELD_MAX = 16,     /* points that may hold one neuron; more keep their plain gates */
  INVMAN_I_PUSHING_MAX = 256, /* a point among more than this many is too weak to hold a neuron and is not tried */
  INVMAN_I_HOLD_LANES = INVMAN_I_TILE / 2 * INVMAN_I_WIDTH /* neurons of a tile that holds their rates, too */
};

typedef struct invman_i_hold {
  const invman_i_net_flow *flow;
  invman_i_points pushing;
  double span;
} invman_i_hold;

/* gate_k in [0,1] such that z_k = base_k + sum_l own_kl gate_l is zero, or positive with gate 1, or negative with
   gate 0: projected Gauss-Seidel. */
static void invman_i_solve_gates(size_t count, const double *base, double (*own)[INVMAN_I_HELD_MAX], double *gate) {
  size_t k, l;
  int sweep;
  double change = 1;
  for (sweep = 0; sweep < 200 && change > 1e-12; sweep++)
    for (k = 0, change = 0; k < count; k++) {
      double z = base[k], new_gate;
      for (l = 0; l < count; l++) z += own[k][l] * gate[l];
      new_gate = fmin(1, fmax(0, gate[k] - z / own[k][k]));
      change = fmax(change, fabs(new_gate - gate[k]));
      gate[k] = new_gate;
    }
}

/* Finds the gates of one neuron at the points that held it or begin to, and corrects G. Returns how many hold it. */
static size_t invman_i_hold_neuron(const invman_i_net_flow *f, size_t n, double span, const size_t *point, size_t count,
                                   const double *before, invman_i_held *out) {
  const invman_data *data = f->batch->train;
  size_t d = data->d, k, l, kept = 0;
  const double *v = invman_i_neuron(&f->trial, n);
  double *g = invman_i_neuron(&f->grad, n), shift = span * v[(d + 1) * INVMAN_I_WIDTH];
  double base[INVMAN_I_HELD_MAX] = {0}, own[INVMAN_I_HELD_MAX][INVMAN_I_HELD_MAX], gate[INVMAN_I_HELD_MAX];
  for (k = 0; k < count; k++) {
    const double *x = data->x + point[k] * d;
    base[k] = invman_i_neuron_dot(v, x, d) + shift * invman_i_neuron_dot(g, x, d);
    gate[k] = before[k];
    for (l = 0; l < count; l++) {
      own[k][l] = shift * f->batch->r[point[l]] * (invman_i_inner(x, data->x + point[l] * d, d) / (double)d + 1);
      base[k] -= own[k][l] * before[l];
    }
  }
  invman_i_solve_gates(count, base, own, gate);
  for (k = 0; k < count; k++) {
    const double *x = data->x + point[k] * d;
    double change = (gate[k] - before[k]) * f->batch->r[point[k]];
    for (l = 0; l < d; l++) g[l * INVMAN_I_WIDTH] += change * x[l] / (double)d;
    g[d * INVMAN_I_WIDTH] += change;
    if (gate[k] <= 0 || gate[k] >= 1) continue;
    out[kept].n = n;
    out[kept].i = point[k];
    out[kept++].gate = gate[k];
  }
  return kept;
}

/* Marks the points whose gate changes within the step while neither gate is consistent at its end: the neuron's z goes
   to z1 with the wrong sign, by less than the point's own contribution. */
INVMAN_I_INLINE void invman_i_mark_crossing(invman_i_lanes *mark, const invman_i_lanes *z, const invman_i_lanes *g,
                                            const invman_i_lanes *beta, double span, double push, const int L) {
  invman_i_lanes own, against, z1, t, crossing;
  invman_i_set(&own, &invman_i_zero, L);
  invman_i_set(&against, &invman_i_zero, L);
  invman_i_set(&crossing, &invman_i_zero, L);
  invman_i_set(&z1, z, L);
  invman_i_add_scaled(&own, push, beta, L);
  invman_i_add_scaled(&against, -push, beta, L);
  invman_i_multiply(&t, beta, g, L);
  invman_i_add_scaled(&z1, span, &t, L);
  invman_i_multiply(&t, z, &z1, L);
  invman_i_add_scaled(&crossing, -1, &t, L);
  invman_i_multiply(&t, &z1, &z1, L);
  invman_i_multiply(mark, &own, &own, L);
  invman_i_add_scaled(mark, -1, &t, L);
  invman_i_gate(mark, &crossing, mark, L);
  invman_i_gate(mark, &against, mark, L); /* positive where all three hold */
}

/* The points that may hold the neurons of a tile, lane by lane, and their gates before the step. */
typedef struct invman_i_holders {
  size_t count[INVMAN_I_HOLD_LANES], point[INVMAN_I_HOLD_LANES][INVMAN_I_HELD_MAX];
  double before[INVMAN_I_HOLD_LANES][INVMAN_I_HELD_MAX];
} invman_i_holders;

static void invman_i_add_holder(invman_i_holders *h, size_t lane, size_t point, double before) {
  size_t k = 0;
  while (k < h->count[lane] && h->point[lane][k] != point) k++;
  if (k < h->count[lane] || k == INVMAN_I_HELD_MAX) return;
  h->point[lane][k] = point;
  h->before[lane][k] = before;
  h->count[lane]++;
}

/* Where the pairs of neurons from n on begin. */
static size_t invman_i_first_held(const invman_i_net_flow *f, size_t n) {
  size_t low = 0, high = f->held_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (f->held[middle].n < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Adds what the pushing points i.. begin to hold of the tile v. */
INVMAN_I_INLINE void invman_i_add_crossing(const invman_i_hold *s, size_t i, invman_i_tile v, invman_i_holders *h,
                                           const int L) {
  const invman_i_net_flow *f = s->flow;
  const int J = INVMAN_I_PAIRS(L);
  const void *x[INVMAN_I_POINTS];
  invman_i_sums z, mark;
  invman_i_lanes any;
  int a, j, l;
  invman_i_few_points(&s->pushing, i, x);
  invman_i_dot_pairs(z, v, f->net->d, x, J, L);
  invman_i_set(&any, &invman_i_zero, L);
  INVMAN_I_UNROLL
  for (a = 0; a < INVMAN_I_POINTS; a++) {
    size_t row = invman_i_row_index(&s->pushing, invman_i_min(i + (size_t)a, s->pushing.n - 1));
    INVMAN_I_UNROLL
    for (j = 0; j < J; j++) {
      invman_i_mark_crossing(&mark[a][j], &z[a][j], &z[a][J + j], &v[j][f->net->d + 1], s->span,
                             s->span * f->batch->r[row] * f->square[row], L);
      invman_i_add_gated(&any, &mark[a][j], &mark[a][j], L);
    }
  }
  if (!(invman_i_sum_lanes(&any) > 0)) return;
  for (a = 0; a < INVMAN_I_POINTS && i + (size_t)a < s->pushing.n; a++)
    for (j = 0; j < J; j++)
      for (l = 0; l < INVMAN_I_WIDTH; l++)
        if (mark[a][j].d[l] > 0)
          invman_i_add_holder(h, (size_t)(j * INVMAN_I_WIDTH + l), invman_i_row_index(&s->pushing, i + (size_t)a),
                              z[a][j].d[l] > 0);
}

/* Task: a group of neurons, whose new pairs go to the group's part of the list, as far as there is room. */
INVMAN_I_INLINE void invman_i_hold_group_body(size_t task, void *arg, const int L) {
  const invman_i_hold *s = (const invman_i_hold *)arg;
  const invman_i_net_flow *f = s->flow;
  const int J = INVMAN_I_PAIRS(L);
  size_t d = f->net->d, group = invman_i_group(f->trial.panels), q, i, lane, lanes = (size_t)J * INVMAN_I_WIDTH;
  size_t last = invman_i_min((task + 1) * group, f->trial.panels), out_count = 0;
  size_t old = invman_i_first_held(f, task * group * INVMAN_I_WIDTH);
  invman_i_held *out = f->held_next + task * f->held_room, kept[INVMAN_I_HELD_MAX];
  for (q = task * group; q < last; q += (size_t)J) {
    size_t first = q * INVMAN_I_WIDTH, n, k;
    invman_i_holders h;
    invman_i_tile v;
    memset(h.count, 0, sizeof h.count);
    invman_i_tile_of(v, &f->trial, q, J);
    invman_i_tile_of(v + J, &f->grad, q, J);
    for (; old < f->held_count && f->held[old].n < first + lanes; old++) {
      const invman_i_held *held = &f->held[old];
      if (invman_i_neuron(&f->trial, held->n)[(d + 1) * INVMAN_I_WIDTH] * f->batch->r[held->i] < 0)
        invman_i_add_holder(&h, held->n - first, held->i, held->gate);
    }
    for (i = 0; i < s->pushing.n; i += INVMAN_I_POINTS) invman_i_add_crossing(s, i, v, &h, L);
    for (lane = 0; lane < lanes; lane++) {
      if (h.count[lane] == 0) continue;
      n = invman_i_hold_neuron(f, first + lane, s->span, h.point[lane], h.count[lane], h.before[lane], kept);
      for (k = 0; k < n; k++, out_count++)
        if (out_count < f->held_room) out[out_count] = kept[k];
    }
  }
  f->group_count[task] = out_count;
}
INVMAN_I_KERNEL(invman_i_hold_group)

/* Puts held gates in the place of plain ones in G, for all held pairs or (nearby 0 or 1) those whose point is so. */
static void invman_i_hold_gradient(invman_i_net_flow *f, int nearby) {
  size_t d = f->net->d, k, l;
  for (k = 0; k < f->held_count; k++) {
    const invman_i_held *h = &f->held[k];
    const double *x = f->batch->train->x + h->i * d;
    double *g = invman_i_neuron(&f->grad, h->n), change = (h->gate - (h->z > 0)) * f->batch->r[h->i];
    if (nearby >= 0 && f->batch->nearby[h->i] != nearby) continue;
    for (l = 0; l < d; l++) g[l * INVMAN_I_WIDTH] += change * x[l] / (double)d;
    g[d * INVMAN_I_WIDTH] += change;
    g[(d + 1) * INVMAN_I_WIDTH] += change * h->z;
  }
}

/* Room for so many pairs per group, in both lists. */
static invman_status invman_i_held_reserve(invman_i_net_flow *f, size_t room) {
  const invman_i_batch *batch = f->batch;
  size_t groups = invman_i_groups(f->trial.panels);
  invman_i_held *held, *next;
  if (room <= f->held_room) return INVMAN_OK;
  invman_i_give(batch->scope, f->held_next);
  f->held_next = NULL;
  next = (invman_i_held *)invman_i_take(batch->scope, invman_i_mul(groups, room), sizeof *next);
  held = (invman_i_held *)invman_i_take(batch->scope, invman_i_mul(groups, room), sizeof *held);
  if (batch->scope->status < 0) return batch->scope->status;
  if (f->held) memcpy(held, f->held, f->held_count * sizeof *held);
  invman_i_give(batch->scope, f->held);
  f->held = held;
  f->held_next = next;
  f->held_room = room;
  return INVMAN_OK;
}

/* Finds the held gates of a step of length span from where the network is, and corrects G. */
static void invman_i_net_begin(void *self_, double span) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  invman_i_batch *batch = f->batch;
  size_t groups = invman_i_groups(f->trial.panels), n = 0, count = 0, most = 0, g, i;
  invman_i_held *swap;
  invman_i_hold s;
  for (i = 0; i < batch->train->n; i++)
    if (batch->r[i] != 0) batch->list[n++] = i;
  if (n > INVMAN_I_PUSHING_MAX) {
    f->held_count = 0;
    return;
  }
  s.flow = f;
  s.pushing = invman_i_listed(f, 0, n);
  s.span = span;
  do { /* again where the room was not enough */
    if (invman_i_held_reserve(f, most) < 0) return;
    invman_i_net_move(f, 0);
    invman_i_gradient_points(batch->scope->ctx, &f->trial, invman_i_narrow(f), s.pushing, batch->r, 0, &f->grad);
    invman_i_hold_gradient(f, -1);
    invman_i_parallel(batch->scope->ctx, groups, invman_i_hold_group(batch->scope->ctx), &s,
                      (double)n * (double)f->net->h * 2 * (double)(f->net->d + 2));
    for (g = 0; g < groups; g++) most = invman_i_max(most, f->group_count[g]);
  } while (most > f->held_room);
  for (g = 0; g < groups; g++) {
    memmove(f->held_next + count, f->held_next + g * f->held_room, f->group_count[g] * sizeof *f->held);
    count += f->group_count[g];
  }
  swap = f->held;
  f->held = f->held_next;
  f->held_next = swap;
  f->held_count = count;
}

/* ---- sweeps over the points of the list, with the held gates in the place of the plain ones */

/* G = (or +=) sum of r x~ over part of the list, near or not. */
static void invman_i_net_gradient(void *self_, size_t first, size_t count, int nearby) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  invman_i_gradient_points(f->batch->scope->ctx, &f->trial, invman_i_narrow(f), invman_i_listed(f, first, count),
                           f->batch->r, nearby, &f->grad);
  invman_i_hold_gradient(f, nearby);
}

/* The rates of part of the list's margins along G, Eq. (3). */
static void invman_i_net_rates(void *self_, size_t first, size_t count, double *rate) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  const invman_i_batch *batch = f->batch;
  double unit = sqrt(2.0) / (double)f->net->h;
  size_t d = f->net->d, k;
  invman_i_sweep s;
  memset(&s, 0, sizeof s);
  s.net = &f->trial;
  s.grad = &f->grad;
  s.narrow = invman_i_narrow(f);
  s.x = invman_i_listed(f, first, count);
  invman_i_sum_neurons(batch->scope->ctx,
                       s.narrow ? invman_i_rate_single(batch->scope->ctx) : invman_i_rate(batch->scope->ctx), s, unit,
                       f->partial, rate);
  for (k = 0; k < f->held_count; k++) {
    const invman_i_held *h = &f->held[k];
    const double *v = invman_i_neuron(&f->trial, h->n), *g = invman_i_neuron(&f->grad, h->n);
    const double *x = batch->train->x + h->i * d;
    double beta = v[(d + 1) * INVMAN_I_WIDTH];
    if (batch->where[h->i] < first || batch->where[h->i] >= first + count) continue;
    rate[batch->where[h->i] - first] +=
        unit * (h->gate - (h->z > 0)) *
        (beta * beta * invman_i_neuron_dot(g, x, d) + g[(d + 1) * INVMAN_I_WIDTH] * h->z);
  }
  for (k = 0; k < count; k++) rate[k] *= batch->options->alpha * batch->train->y[batch->list[first + k]];
}

static void invman_i_net_gram(void *self_) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  const invman_i_batch *batch = f->batch;
  invman_i_points nearby = invman_i_listed(f, 0, batch->near_count);
  if (invman_i_gram_reserve(&f->gram, batch->scope, nearby.n) < 0) return;
  f->gram.net = &f->trial;
  f->gram.part = INVMAN_NTK_ALL;
  f->gram.held = f->held;
  f->gram.held_count = f->held_count;
  f->gram.where = batch->where;
  invman_i_gram_points(batch->scope->ctx, &f->gram, &nearby, NULL, batch->K);
}

/* ---- the backend's table */

static double invman_i_net_start(void *self_, double span) {
  const invman_i_batch *batch = ((const invman_i_net_flow *)self_)->batch;
  return batch->speed > 0 ? fmin(0.25 * batch->options->rotation_tol / batch->speed, span) : 1;
}

static void invman_i_net_evaluate(void *self_, int initial, const double *x, size_t n, double *out) {
  const invman_i_net_flow *f = (const invman_i_net_flow *)self_;
  invman_i_eval_points(f->batch->scope->ctx, initial ? &f->start : &f->trial, NULL,
                       invman_i_points_of(x, NULL, n, f->net->d), f->partial, out);
}

static void invman_i_net_look(void *self_, const size_t *list, size_t count, double *out) {
  const invman_i_net_flow *f = (const invman_i_net_flow *)self_;
  invman_i_points some = invman_i_points_of(f->batch->train->x, list, count, f->net->d);
  some.narrow = f->x_narrow;
  invman_i_eval_points(f->batch->scope->ctx, &f->trial, invman_i_narrow(f), some, f->partial, out);
}

static void *invman_i_net_reader(const void *self_, invman_i_batch *batch, size_t n) {
  invman_i_net_flow *f = (invman_i_net_flow *)invman_i_take(batch->scope, 1, sizeof *f);
  if (!f) return NULL;
  *f = *(const invman_i_net_flow *)self_;
  f->batch = batch;
  f->partial = invman_i_partial_take(batch->scope, &f->start, n);
  return f;
}

/* The bound holds as well where no neuron is active at any point: G is then 0. */
static int invman_i_net_is_stationary(void *self_, double share) {
  const invman_i_net_flow *f = (const invman_i_net_flow *)self_;
  double push = 0;
  size_t i;
  for (i = 0; i < f->batch->train->n; i++) push += fabs(f->batch->r[i]) * sqrt(f->square[i]);
  return f->batch->speed <= share * push;
}

static void invman_i_net_accept(void *self_) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  invman_i_unpack_net(&f->trial, f->net);
  f->batch->info->held = f->held_count;
}

static void invman_i_net_put_back(void *self_) {
  invman_i_net_flow *f = (invman_i_net_flow *)self_;
  invman_i_pack_net(f->net, &f->trial);
}

static double invman_i_net_lambda(void *self_, int here) {
  const invman_i_net_flow *f = (const invman_i_net_flow *)self_;
  size_t d_par = f->batch->options->d_par;
  return here ? invman_i_lambda(f->net, &f->trial, d_par) : invman_amplification(f->net, d_par);
}

static double invman_i_net_reach(void *self_, size_t i) {
  const invman_i_net_flow *f = (const invman_i_net_flow *)self_;
  return f->batch->options->alpha * f->reach * sqrt(f->square[i]);
}

static const invman_i_backend invman_i_net_backend = {
    2, /* kinks */
    invman_i_net_start,
    invman_i_net_begin,
    invman_i_net_gradient,
    invman_i_net_rates,
    invman_i_net_gram,
    invman_i_net_move,
    invman_i_net_evaluate,
    invman_i_net_reader,
    invman_i_net_is_stationary,
    invman_i_net_accept,
    invman_i_net_put_back,
    invman_i_net_lambda,
    invman_i_net_reach,
    invman_i_net_look,
    NULL, /* nothing to check: its rates are exact */
    NULL,
    NULL,
};

static invman_i_net_flow *invman_i_net_of(const invman_flow *f) { /* NULL: not a network's flow */
  return f->backend == &invman_i_net_backend ? (invman_i_net_flow *)f->self_ : NULL;
}

/* ---- making such a flow */

static invman_status invman_i_check_net_flow(const invman_context *ctx, const invman_net *net, const invman_data *train,
                                             invman_flow_options *o) {
  invman_status status = invman_i_check_net(ctx, net);
  if (status == INVMAN_OK) status = invman_i_check_flow(ctx, net->d, train, o);
  if (status < 0) return status;
  if (o->d_par > net->d) return invman_i_bad(ctx, "flow: d_par exceeds d");
  if (o->dynamics != INVMAN_EVENT_DRIVEN)
    return invman_i_bad(ctx, "flow: the momentum dynamics are for models (flow_create_model)");
  return INVMAN_OK;
}

/* Takes what sweeps in single precision need. */
static void invman_i_single_take(invman_i_net_flow *f) {
  const invman_i_batch *batch = f->batch;
  size_t size = invman_i_mul(batch->train->n, batch->train->d), i;
  f->narrow[0] = invman_i_narrow_take(batch->scope, f->start.h, f->start.d);
  f->narrow[1] = invman_i_narrow_take(batch->scope, f->start.h, f->start.d);
  f->x_narrow = (float *)invman_i_take(batch->scope, size, sizeof(float));
  for (i = 0; f->x_narrow && i < size; i++) f->x_narrow[i] = (float)batch->train->x[i];
}

static void invman_i_sweep_take(invman_i_net_flow *f, size_t tests) {
  int narrow = f->batch->info->in_single && invman_i_groups(f->narrow->panels) > invman_i_groups(f->start.panels);
  f->partial =
      invman_i_partial_take(f->batch->scope, narrow ? f->narrow : &f->start, invman_i_max(f->batch->train->n, tests));
}

/* A flow of a network with all its memory; its weights are those of t = 0. */
static invman_status invman_i_make_flow(const invman_context *ctx, invman_net *net, const invman_data *train,
                                        const invman_flow_options *o, invman_flow **out) {
  invman_flow *flow;
  invman_i_net_flow *f;
  size_t p = train->n, h = net->h, d = net->d, i;
  invman_status status = invman_i_flow_take(ctx, train, o, &flow);
  if (status < 0) return status;
  flow->backend = &invman_i_net_backend;
  flow->shown = net;
  flow->batch.unit = sqrt(2.0) / ((double)h * (double)p);
  flow->info.in_single = o->single != 0;
  flow->self_ = f = (invman_i_net_flow *)invman_i_take(&flow->scope, 1, sizeof *f);
  if (!f) return invman_i_made(flow, out);
  f->batch = &flow->batch;
  f->net = net;
  f->start = invman_i_pack_take(&flow->scope, h, d);
  f->trial = invman_i_pack_take(&flow->scope, h, d);
  f->grad = invman_i_pack_take(&flow->scope, h, d);
  f->square = invman_i_doubles(&flow->scope, p);
  if (o->single) invman_i_single_take(f);
  invman_i_sweep_take(f, o->test ? o->test->n : 0);
  invman_i_held_reserve(f, 64);
  f->group_count = (size_t *)invman_i_take(&flow->scope, invman_i_groups(f->start.panels), sizeof(size_t));
  if (f->square)
    for (i = 0; i < p; i++) f->square[i] = invman_i_inner(train->x + i * d, train->x + i * d, d) / (double)d + 1;
  return invman_i_made(flow, out);
}

invman_status invman_flow_create(const invman_context *ctx, invman_net *net, const invman_data *train,
                                 const invman_flow_options *options, invman_flow **out) {
  invman_flow_options o;
  invman_flow *f = NULL;
  invman_status status;
  if (!out) return invman_i_bad(ctx, "flow_create: out is NULL");
  *out = NULL;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  status = invman_i_check_net_flow(ctx, net, train, &o);
  if (status == INVMAN_OK) status = invman_i_make_flow(ctx, net, train, &o, &f);
  if (status < 0) return status;
  invman_i_pack_net(net, &invman_i_net_of(f)->start);
  return invman_i_start_flow(f, out);
}

invman_status invman_train(const invman_context *ctx, invman_net *net, const invman_data *train,
                           const invman_flow_options *options, invman_flow_info *info) {
  invman_flow *flow;
  invman_status status = invman_flow_create(ctx, net, train, options, &flow);
  return status < 0 ? status : invman_i_run_and_free(flow, info);
}

/* ====================================================================================================== >>flow_model
   The backend of a caller's model. The rates of its margins are differences of f along G. */

INVMAN_I_COLD

typedef struct invman_i_model_flow {
  invman_i_batch *batch;
  invman_model model;                /* its weights are the trial's */
  invman_error heard;                /* context.error before a callback, to see whether the callback wrote there */
  double *initial, *base, *here;     /* (N) weights at t = 0; weights at the step's start; scratch */
  double *G, *last_G;                /* (N) G; that of the last step */
  double *velocity;                  /* (N) of the momentum dynamics */
  size_t doubts, patience;           /* trials with unpredicted margins; how many of them it takes for a check */
  size_t contradictions;             /* trials in a row where f did not change along G as the model says */
  int early;                         /* contradictions between a few points soon after the start */
  double *x_list, *r_list, *shifted; /* (p,d) points of part of the list; (p) their r; (max(p, test)) f */
} invman_i_model_flow;

/* ---- the callbacks. Each function returns whether the flow can go on. Where f overflows the step is too long; this is
   no error. */

static void invman_i_listen(invman_i_model_flow *f) {
  if (f->batch->scope->ctx->error) f->heard = *f->batch->scope->ctx->error;
}

/* Judges what a callback returned. If it failed, `what` names it, unless the callback itself has written an error. */
static int invman_i_returned(invman_i_model_flow *f, invman_status status, const char *what) {
  invman_i_scope *scope = f->batch->scope;
  const invman_error *error = scope->ctx->error;
  if (status == INVMAN_OK) return 1;
  scope->status = status < 0 ? status : INVMAN_E_ARG;
  if (error && error->what == f->heard.what && error->place == f->heard.place)
    invman_i_fail(scope->ctx, scope->status, what, "", 0);
  return 0;
}

static int invman_i_call_gradient(invman_i_model_flow *f, const double *x, size_t n, const double *r, double *G) {
  if (f->batch->scope->status < 0) return 0;
  invman_i_listen(f);
  return invman_i_returned(f, f->model.gradient(x, n, r, G, f->model.user),
                           "flow: the model's gradient did not return INVMAN_OK");
}

static int invman_i_call_gram(invman_i_model_flow *f, const double *x, size_t n, double *K) {
  if (f->batch->scope->status < 0) return 0;
  invman_i_listen(f);
  return invman_i_returned(f, f->model.gram(x, n, K, f->model.user), "flow: the model's gram did not return INVMAN_OK");
}

static int invman_i_call_move(invman_i_model_flow *f, double dt) {
  if (f->batch->scope->status < 0) return 0;
  invman_i_listen(f);
  return invman_i_returned(f, f->model.move(f->G, dt, f->model.user),
                           "flow: the model's move did not return INVMAN_OK");
}

/* f at n points; NaN where it overflows */
static void invman_i_call_evaluate(invman_i_model_flow *f, const double *x, size_t n, double *out) {
  invman_status status = INVMAN_E_NONFINITE;
  size_t k;
  if (f->batch->scope->status < 0 || n == 0) return;
  invman_i_listen(f);
  if (invman_i_all_finite(f->model.weights, f->model.size)) status = f->model.evaluate(x, n, out, f->model.user);
  if (status == INVMAN_E_NONFINITE)
    for (k = 0; k < n; k++) out[k] = HUGE_VAL - HUGE_VAL;
  else if (!invman_i_returned(f, status, "flow: the model's evaluate did not return INVMAN_OK")) return;
  f->batch->beyond |= !invman_i_all_finite(out, n);
}

/* ---- the backend's functions, by these callbacks */

/* Goes back to the last step's G, since a trial that was too long has left its own G far off. */
static void invman_i_model_begin(void *self_, double span) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  (void)span;
  memcpy(f->G, f->last_G, f->model.size * sizeof *f->G);
}

/* Gathers part of the list. */
static const double *invman_i_model_points(invman_i_model_flow *f, size_t first, size_t count) {
  invman_i_batch *batch = f->batch;
  size_t d = batch->train->d, k;
  for (k = 0; k < count; k++) {
    memcpy(f->x_list + k * d, batch->train->x + batch->list[first + k] * d, d * sizeof(double));
    f->r_list[k] = batch->r[batch->list[first + k]];
  }
  return f->x_list;
}

static void invman_i_model_gradient(void *self_, size_t first, size_t count, int nearby) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_batch *batch = f->batch;
  size_t N = f->model.size, k;
  double *G = nearby ? f->here : f->G;
  if (batch->scope->status < 0 || batch->beyond) return;
  if (!nearby) memset(f->G, 0, N * sizeof *f->G);
  if (count == 0) return;
  if (!invman_i_call_gradient(f, invman_i_model_points(f, first, count), count, f->r_list, G)) return;
  batch->beyond = !invman_i_all_finite(G, N);
  for (k = 0; nearby && !batch->beyond && k < N; k++) f->G[k] += f->here[k];
}

static void invman_i_model_set(invman_i_model_flow *f, const double *from) {
  memcpy(f->model.weights, from, f->model.size * sizeof *from);
}

static void invman_i_model_shift(invman_i_model_flow *f, const double *from, double dt) {
  size_t k;
  invman_i_model_set(f, from);
  if (f->model.move) (void)invman_i_call_move(f, dt);
  else
    for (k = 0; k < f->model.size; k++) f->model.weights[k] += dt * f->G[k];
  f->batch->beyond |= !invman_i_all_finite(f->model.weights, f->model.size);
}

static void invman_i_model_move(void *self_, double dt) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_model_shift(f, f->base, dt);
}

static void invman_i_model_evaluate(void *self_, int initial, const double *x, size_t n, double *out) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  if (initial) invman_i_model_set(f, f->initial);
  invman_i_call_evaluate(f, x, n, out);
  if (initial) invman_i_model_set(f, f->base);
}

/* Rates by central differences: the weights move by `reach` of their size to either side. */
static void invman_i_model_differences(invman_i_model_flow *f, size_t first, size_t count, double reach, double *rate) {
  const invman_i_batch *batch = f->batch;
  size_t N = f->model.size, k;
  double size = sqrt(invman_i_inner(f->G, f->G, N)), weight, dt;
  const double *x = invman_i_model_points(f, first, count);
  memset(rate, 0, count * sizeof *rate);
  if (!(size > 0) || batch->scope->status < 0 || batch->beyond) return;
  memcpy(f->here, f->model.weights, N * sizeof *f->here);
  weight = sqrt(invman_i_inner(f->here, f->here, N) / (double)N);
  dt = reach * (weight > 0 ? weight : 1) / size;
  invman_i_model_shift(f, f->here, dt);
  invman_i_call_evaluate(f, x, count, rate);
  invman_i_model_shift(f, f->here, -dt);
  invman_i_call_evaluate(f, x, count, f->shifted);
  invman_i_model_set(f, f->here);
  if (batch->beyond) memset(rate, 0, count * sizeof *rate);
  else
    for (k = 0; k < count; k++)
      rate[k] = batch->options->alpha * batch->train->y[batch->list[first + k]] * (rate[k] - f->shifted[k]) / (2 * dt);
}

static void invman_i_model_rates(void *self_, size_t first, size_t count, double *rate) {
  invman_i_model_differences((invman_i_model_flow *)self_, first, count, 1e-5, rate);
}

static void invman_i_model_gram(void *self_) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_batch *batch = f->batch;
  size_t n = batch->near_count;
  const double *x = invman_i_model_points(f, 0, n);
  if (batch->beyond || !invman_i_call_gram(f, x, n, batch->K)) return;
  batch->beyond = !invman_i_all_finite(batch->K, n * n);
}

static void invman_i_model_is_wrong(invman_i_model_flow *f, const char *what) {
  if (f->batch->scope->status >= 0)
    f->batch->scope->status = invman_i_fail(f->batch->scope->ctx, INVMAN_E_ARG, what, "", 0);
}

/* For some points with multipliers above 0, gathered, and their Gram matrix: an error if K says that they move the
   weights and their gradient is 0. */
static void invman_i_model_check_stationary(invman_i_model_flow *f, const double *K, size_t count, double largest) {
  double push = 0, square = 0, G;
  size_t i, j;
  if (!invman_i_call_gradient(f, f->x_list, count, f->r_list, f->here)) return;
  G = sqrt(invman_i_inner(f->here, f->here, f->model.size));
  for (i = 0; i < count; i++) {
    push += fabs(f->r_list[i]);
    for (j = 0; j < count; j++) square += f->r_list[i] * f->r_list[j] * K[i * count + j];
  }
  if (G <= invman_i_share_of_model * push * sqrt(largest) && square > 1e-6 * push * push * largest)
    invman_i_model_is_wrong(f, "flow: the model's gradient is 0 where its Gram matrix is not; see invman_model_check");
}

/* G is compared with the gradients of single points, of those with the largest multipliers. */
static int invman_i_model_is_stationary(void *self_, double share) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  const invman_i_batch *batch = f->batch;
  enum { FEW = 8 };
  size_t p = batch->train->n, count = 0, k, i;
  double K[FEW * FEW], G = sqrt(invman_i_inner(f->G, f->G, f->model.size)), push = 0, largest = 0;
  for (i = 0; i < p; i++) push += fabs(batch->r[i]);
  if (push == 0) return 1;
  for (i = 0; i < p && count < FEW; i++)
    if (fabs(batch->r[i]) >= push / (double)p) {
      memcpy(f->x_list + count * batch->train->d, batch->train->x + i * batch->train->d,
             batch->train->d * sizeof(double));
      f->r_list[count++] = batch->r[i];
    }
  memset(K, 0, sizeof K);
  if (count == 0 || !invman_i_call_gram(f, f->x_list, count, K)) return 0;
  for (k = 0; k < count; k++) largest = fmax(largest, K[k * count + k]);
  if (!(largest <= DBL_MAX && G <= fmax(share, invman_i_share_of_model) * push * sqrt(largest))) return 0;
  invman_i_model_check_stationary(f, K, count, largest);
  return batch->scope->status >= 0;
}

static void invman_i_model_accept(void *self_) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  memcpy(f->base, f->model.weights, f->model.size * sizeof *f->base);
  memcpy(f->last_G, f->G, f->model.size * sizeof *f->G);
}

static void invman_i_model_put_back(void *self_) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_model_set(f, f->base);
}

static double invman_i_model_start(void *self_, double span) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  double size = sqrt(invman_i_inner(f->G, f->G, f->model.size));
  double weights = sqrt(invman_i_inner(f->base, f->base, f->model.size));
  memcpy(f->last_G, f->G, f->model.size * sizeof *f->G);
  if (!(size > 0 && span < HUGE_VAL)) return 1;
  return weights > 0 ? fmin(span, 0.1 * f->batch->options->relative_tol * weights / size) : span;
}

static void *invman_i_model_reader(const void *self_, invman_i_batch *batch, size_t n) {
  invman_i_model_flow *f = (invman_i_model_flow *)invman_i_take(batch->scope, 1, sizeof *f);
  (void)n;
  if (!f) return NULL;
  *f = *(const invman_i_model_flow *)self_;
  f->batch = batch;
  return f;
}

/* ---- a model that contradicts itself. Its real margins do not approach the predicted ones as the step is made
   shorter: one length after the other is refused, or the run creeps on at a length that hides the contradiction. If
   margins come out other than predicted, the differences of f along G are therefore compared with the prediction from
   K, at the weights where G and K were computed. For a right model the two agree at any length of the step, also next
   to a kink. */

#define INVMAN_I_CONTRADICTS \
  "flow: f does not change along the model's gradient as its Gram matrix says; see invman_model_check"
enum { INVMAN_I_DOUBTS = 4, INVMAN_I_CONTRADICTIONS = 3, INVMAN_I_LENGTHS = 20 };

/* Whether the near points' predicted rates differ from those of f along G by more than a share of the largest rate and
   the uncertainty of the differences. */
static int invman_i_rates_contradict(invman_i_model_flow *f, double share) {
  const invman_i_batch *batch = f->batch;
  double *nearby = batch->work, *longer = batch->next, largest = 0;
  size_t n = batch->near_count, i;
  invman_i_model_differences(f, 0, n, 1e-5, nearby);
  invman_i_model_differences(f, 0, n, 16e-5, longer);
  for (i = 0; i < n; i++)
    largest =
        fmax(largest, fmax(fabs(nearby[i]), fmax(fabs(batch->rate[batch->list[i]]), fabs(batch->margins.drift[i]))));
  for (i = 0; i < n && !batch->beyond; i++)
    if (fabs(nearby[i] - batch->rate[batch->list[i]]) > share * largest + 10 * fabs(nearby[i] - longer[i])) return 1;
  return 0;
}

/* How fast sum r f grows (and so the loss falls), given the rates of the listed points after the near ones. */
static double invman_i_descent(const invman_i_model_flow *f, const double *rate) {
  const invman_i_batch *batch = f->batch;
  size_t others = batch->train->n - batch->near_count, k;
  double sum = 0;
  for (k = 0; k < others; k++) {
    size_t i = batch->list[batch->near_count + k];
    sum += batch->r[i] * batch->train->y[i] * rate[k];
  }
  return sum;
}

/* Whether the loss rises along G, where sum r f should grow as |G|^2. For trials in which no near point adds to G. */
static int invman_i_loss_rises(invman_i_model_flow *f) {
  const invman_i_batch *batch = f->batch;
  double descent, longer;
  size_t others = batch->train->n - batch->near_count, k;
  for (k = 0; k < batch->near_count; k++)
    if (batch->r[batch->list[k]] != 0) return 0;
  for (k = 0; k < others; k++) batch->work[k] = batch->rate[batch->list[batch->near_count + k]];
  descent = invman_i_descent(f, batch->work);
  if (descent >= 0) return 0;
  invman_i_model_differences(f, batch->near_count, others, 16e-5, batch->next);
  longer = invman_i_descent(f, batch->next);
  return !batch->beyond && fabs(longer - descent) < 0.3 * fabs(descent);
}

/* A check soon after the start, when no kink is met exactly any more: does f change along the gradient of a few points
   as their Gram matrix says? It is made before a step, at its weights; G and the list are then computed anew. */
static void invman_i_model_check_step(void *self_) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_batch *batch = f->batch;
  enum { FEW = 4, FIRST = 3 };
  size_t n = invman_i_min(batch->train->n, FEW), i, j;
  double K[FEW * FEW], rate[FEW], longer[FEW], wanted[FEW], largest = 0;
  int wrong = 0;
  if (batch->info->step < (size_t)FIRST || batch->info->step >= (size_t)FIRST + INVMAN_I_CONTRADICTIONS) return;
  batch->beyond = 0;
  for (i = 0; i < n; i++) {
    batch->list[i] = i * batch->train->n / n;
    batch->r[batch->list[i]] = batch->unit * batch->train->y[batch->list[i]];
  }
  invman_i_model_gradient(f, 0, n, 0);
  invman_i_model_differences(f, 0, n, 1e-5, rate);
  invman_i_model_differences(f, 0, n, 16e-5, longer);
  if (batch->scope->status < 0 || batch->beyond) return;
  if (!invman_i_call_gram(f, invman_i_model_points(f, 0, n), n, K)) return;
  for (i = 0; i < n; i++) {
    for (wanted[i] = 0, j = 0; j < n; j++) wanted[i] += K[i * n + j] * batch->r[batch->list[j]];
    wanted[i] *= batch->options->alpha * batch->train->y[batch->list[i]];
    largest = fmax(largest, fmax(fabs(rate[i]), fabs(wanted[i])));
  }
  for (i = 0; i < n; i++) wrong |= fabs(rate[i] - wanted[i]) > 0.25 * largest + 10 * fabs(rate[i] - longer[i]);
  f->early += wrong;
  if (f->early == INVMAN_I_CONTRADICTIONS) invman_i_model_is_wrong(f, INVMAN_I_CONTRADICTS);
}

/* The check in a trial whose rates are known, at the weights of its middle. The more checks of a run were in vain, the
   more rarely it is made; but it is always made, and strictly, where one length after the other was refused. */
static void invman_i_model_check_rates(void *self_) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  invman_i_batch *batch = f->batch;
  int strict = batch->refused > INVMAN_I_LENGTHS, beyond = batch->beyond, rises, wrong;
  int asked = batch->near_count > 0 && (strict || f->doubts >= f->patience);
  if (batch->scope->status < 0) return;
  rises = invman_i_loss_rises(f);
  wrong = rises || (asked && invman_i_rates_contradict(f, strict ? 0.02 : 0.25));
  batch->beyond = beyond;
  if (wrong) {
    if (++f->contradictions >= INVMAN_I_CONTRADICTIONS)
      invman_i_model_is_wrong(f, rises ? "flow: the loss rises along the model's gradient; see invman_model_check"
                                       : INVMAN_I_CONTRADICTS);
  } else if (asked) {
    f->contradictions = f->doubts = 0;
    f->patience = invman_i_mul(2, f->patience);
  } else if (f->contradictions > 0 && f->doubts < f->patience) { /* the loss rose, and does no more */
    f->contradictions = 0;
  }
}

/* A trial is doubtful if its error is a good part of the whole change predicted for the near points. */
static void invman_i_model_check_trial(void *self_, double used, double error) {
  invman_i_model_flow *f = (invman_i_model_flow *)self_;
  const invman_i_batch *batch = f->batch;
  double change = 0;
  size_t i;
  if (batch->near_count == 0) return;
  for (i = 0; i < batch->near_count; i++)
    change = fmax(change, fmax(fabs(batch->rate[batch->list[i]]), fabs(batch->margins.drift[i])) * used);
  f->doubts += error > 0.2 * change;
}

static const invman_i_backend invman_i_model_backend = {
    3, /* smooth */
    invman_i_model_start,
    invman_i_model_begin,
    invman_i_model_gradient,
    invman_i_model_rates,
    invman_i_model_gram,
    invman_i_model_move,
    invman_i_model_evaluate,
    invman_i_model_reader,
    invman_i_model_is_stationary,
    invman_i_model_accept,
    invman_i_model_put_back,
    NULL, /* no neurons to see */
    NULL,
    NULL,
    invman_i_model_check_step,
    invman_i_model_check_rates,
    invman_i_model_check_trial,
};

static invman_i_model_flow *invman_i_model_of(const invman_flow *f) { /* NULL: not a model's flow */
  return f->backend == &invman_i_model_backend ? (invman_i_model_flow *)f->self_ : NULL;
}

static invman_status invman_i_check_callbacks(const invman_context *ctx, const invman_model *model) {
  if (!model || model->size == 0 || !model->weights) return invman_i_bad(ctx, "flow: the model has no weights");
  if (model->size > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "flow: so many weights cannot be", "", 0);
  if (!model->evaluate || !model->gradient || !model->gram)
    return invman_i_bad(ctx, "flow: the model needs evaluate, gradient and gram");
  return INVMAN_OK;
}

/* ---- invman_model_check

   Differences of f along a direction are taken over lengths from a tenth of the weights' size to 1e-8 of it. For each
   point the most certain one is used. Its uncertainty is what it differs from those of neighbouring lengths and from
   the one-sided differences (a kink nearby), and the rounding, which second differences over the shortest lengths show.
   Long steps suit an f in single precision, short ones an f with curvature. */

enum { INVMAN_I_TRY_F, INVMAN_I_TRY_GRADIENT, INVMAN_I_TRY_GRAM, INVMAN_I_TRY_CALLS };
enum { INVMAN_I_TRY_LENGTHS = 8, INVMAN_I_TRY_WAYS = 3, INVMAN_I_TRY_WEIGHTS = 8 };

#define INVMAN_I_TRY_SHRINK 0.1137 /* from a length to the next: no ratio that rounding to multiples could share */

typedef struct invman_i_tried {
  const invman_context *ctx;
  const invman_model *model;
  const double *x;
  size_t n, d, N;
  invman_rng rng;
  double *start, *at, *now;  /* (N) the caller's weights; those of the trials; what the callbacks must leave alone */
  double *size;              /* (N) how large a weight is, or could be where it is about zero */
  double *way, *whole, *G;   /* (N) a direction, or a G to move along; what it is a part of; a gradient */
  double *J, *K;             /* (n,N) gradients of single points; (n,n) */
  double *f, *value, *r;     /* (n) f at these weights; scratch; weights of points */
  double *plus, *minus;      /* (n) f to either side */
  double *difference, *bend; /* (lengths,n), and half of what those to either side differ by */
  double *slope, *error;     /* (n) the one that is taken, and by how much it may be off */
  double *norm;              /* (n) of a point's gradient, in units of the weights' sizes */
  double *noise, *least;     /* (n) of f; what it is not below */
  double fine;               /* the share of a value that rounding may be: more where a model's numbers are floats */
  size_t settled;            /* slopes that were known well enough to judge by */
} invman_i_tried;

static double invman_i_undefined(void) { return HUGE_VAL - HUGE_VAL; }

/* The rounding of these numbers: that of floats if all of them are floats, else that of doubles. */
static double invman_i_tried_grain(const double *x, size_t n) {
  size_t k;
  for (k = 0; k < n && (fabs(x[k]) > (double)FLT_MAX || (double)(float)x[k] == x[k]); k++) {}
  return k == n ? (double)FLT_EPSILON : DBL_EPSILON;
}

/* The share of them that may be rounding all the same: of sums, and of floats on the way. */
static double invman_i_tried_fine(const double *x, size_t n) {
  return invman_i_tried_grain(x, n) > DBL_EPSILON ? 1e-3 : 1e-6;
}

/* Checks what a callback left behind: its status, its output, and the weights. */
static invman_status invman_i_tried_call(const invman_i_tried *t, int which, invman_status status, const double *out,
                                         size_t count) {
  static const char *const failed[INVMAN_I_TRY_CALLS] = {"model_check: evaluate failed", "model_check: gradient failed",
                                                         "model_check: gram failed"};
  static const char *const changed[INVMAN_I_TRY_CALLS] = {"model_check: evaluate changed a weight",
                                                          "model_check: gradient changed a weight",
                                                          "model_check: gram changed a weight"};
  static const char *const empty[INVMAN_I_TRY_CALLS] = {
      "model_check: evaluate left an f that is NaN, infinite, or not written",
      "model_check: gradient left an element that is NaN, infinite, or not overwritten",
      "model_check: gram left an element that is NaN, infinite, or not overwritten"};
  size_t k;
  if (status < 0) return invman_i_fail(t->ctx, status, failed[which], "", 0);
  for (k = 0; k < t->N; k++)
    if (invman_i_bits_of(t->model->weights[k]) != invman_i_bits_of(t->now[k]))
      return invman_i_fail(t->ctx, INVMAN_E_ARG, changed[which], "element", k);
  return invman_i_check_finite(t->ctx, out, count, empty[which]);
}

static void invman_i_tried_blank(double *out, size_t count) {
  size_t k;
  for (k = 0; k < count; k++) out[k] = invman_i_undefined();
}

static invman_status invman_i_tried_f(const invman_i_tried *t, size_t first, size_t count, double *f) {
  invman_i_tried_blank(f, count);
  return invman_i_tried_call(t, INVMAN_I_TRY_F, t->model->evaluate(t->x + first * t->d, count, f, t->model->user), f,
                             count);
}

static invman_status invman_i_tried_gradient(const invman_i_tried *t, size_t first, size_t count, const double *r,
                                             double *G) {
  invman_i_tried_blank(G, t->N);
  return invman_i_tried_call(t, INVMAN_I_TRY_GRADIENT,
                             t->model->gradient(t->x + first * t->d, count, r, G, t->model->user), G, t->N);
}

static invman_status invman_i_tried_gram(const invman_i_tried *t, size_t first, size_t count, double *K) {
  invman_i_tried_blank(K, count * count);
  return invman_i_tried_call(t, INVMAN_I_TRY_GRAM, t->model->gram(t->x + first * t->d, count, K, t->model->user), K,
                             count * count);
}

static void invman_i_tried_set(invman_i_tried *t, const double *w) {
  memcpy(t->model->weights, w, t->N * sizeof *w);
  memcpy(t->now, w, t->N * sizeof *w);
}

/* The weights h along the way, or moved along it by the model itself. */
static invman_status invman_i_tried_shift(invman_i_tried *t, double h) {
  size_t k;
  invman_status status = INVMAN_OK;
  invman_i_tried_set(t, t->at);
  if (t->model->move) status = t->model->move(t->way, h, t->model->user);
  else
    for (k = 0; k < t->N; k++) t->model->weights[k] += h * t->way[k];
  memcpy(t->now, t->model->weights, t->N * sizeof(double));
  return status < 0 ? invman_i_fail(t->ctx, status, "model_check: move failed", "", 0) : INVMAN_OK;
}

/* f there; NaN where it overflows, which is no fault. */
static invman_status invman_i_tried_aside(invman_i_tried *t, double h, double *f) {
  invman_status status = invman_i_tried_shift(t, h);
  if (status < 0) return status;
  invman_i_tried_blank(f, t->n);
  if (!invman_i_all_finite(t->now, t->N)) return INVMAN_OK;
  status = t->model->evaluate(t->x, t->n, f, t->model->user);
  if (status == INVMAN_E_NONFINITE) invman_i_tried_blank(f, t->n);
  else if (status < 0) return invman_i_tried_call(t, INVMAN_I_TRY_F, status, f, 0);
  return INVMAN_OK;
}

/* Chooses the difference to believe. An f that saturates may seem to settle over long lengths, so all shorter lengths
   are considered, as far as rounding allows. Where f does not change at all it may be in floats. */
static void invman_i_tried_choose(invman_i_tried *t, size_t i, double span) {
  const double *D = t->difference + i, shrink = INVMAN_I_TRY_SHRINK;
  double h = 0.1 * span;
  size_t n = t->n, last, j, k;
  t->slope[i] = 0;
  t->error[i] = HUGE_VAL;
  for (last = INVMAN_I_TRY_LENGTHS; last > 0 && D[(last - 1) * n] == 0; last--) {} /* from it on: too short for f */
  if (last == 0) t->error[i] = 4 * (double)FLT_EPSILON * fabs(t->f[i]) / h;
  for (k = 1; k + 1 < last; k++) {
    double rounding = 4 * t->noise[i] / (h *= shrink), error = fabs(D[k * n] - D[(k - 1) * n]), later = rounding;
    for (j = k + 1; j < last; j++) {
      later /= shrink;
      error = fmax(error, fabs(D[k * n] - D[j * n]) - (j > k + 1 ? later : 0));
    }
    error += t->bend[k * n + i] + rounding;
    if (!(error < t->error[i])) continue;
    t->error[i] = error;
    t->slope[i] = D[k * n];
  }
}

/* The slopes of f along the way, whose length is `span` times the weights' size. */
static invman_status invman_i_tried_slopes(invman_i_tried *t, double span) {
  double h = 0.1 * span, grain = invman_i_tried_grain(t->f, t->n);
  size_t k, i;
  invman_status status = INVMAN_OK;
  memcpy(t->noise, t->least, t->n * sizeof *t->noise);
  for (k = 0; k < INVMAN_I_TRY_LENGTHS && status >= 0; k++, h *= INVMAN_I_TRY_SHRINK) {
    status = invman_i_tried_aside(t, h, t->plus);
    if (status >= 0) status = invman_i_tried_aside(t, -h, t->minus);
    for (i = 0; i < t->n; i++) {
      double bend = fabs(t->plus[i] - t->f[i] + (t->minus[i] - t->f[i]));
      t->difference[k * t->n + i] = (t->plus[i] - t->minus[i]) / (2 * h);
      t->bend[k * t->n + i] = bend / (2 * h);
      if (k + 1 == INVMAN_I_TRY_LENGTHS) t->noise[i] = fmax(t->noise[i], fmax(bend, grain * fabs(t->f[i])));
    }
  }
  invman_i_tried_set(t, t->at);
  for (i = 0; i < t->n; i++) invman_i_tried_choose(t, i, span);
  return status;
}

/* Whether a slope differs from its expected value; scale: how large it could be. */
static int invman_i_tried_differs(invman_i_tried *t, size_t i, double wanted, double scale) {
  t->settled += 10 * t->error[i] <= scale;
  return fabs(t->slope[i] - wanted) > t->fine * scale + 2 * t->error[i];
}

/* Finds which weight disagrees, by halving the direction. */
static invman_status invman_i_tried_blame(invman_i_tried *t, size_t point) {
  const double *J = t->J + point * t->N;
  size_t first = 0, last = t->N, k;
  memcpy(t->whole, t->way, t->N * sizeof *t->way);
  while (last - first > 1) {
    size_t middle = first + (last - first) / 2, half;
    double off[2];
    for (half = 0; half < 2; half++) {
      invman_status status;
      for (k = 0; k < t->N; k++)
        t->way[k] =
            half == 0 ? (k >= first && k < middle ? t->whole[k] : 0) : (k >= middle && k < last ? t->whole[k] : 0);
      status = invman_i_tried_slopes(t, 1);
      if (status < 0) return status;
      off[half] = fabs(t->slope[point] - invman_i_inner(J, t->way, t->N)) - 2 * fmin(t->error[point], DBL_MAX / 2);
    }
    if (off[0] >= off[1]) last = middle;
    else first = middle;
  }
  return invman_i_fail(t->ctx, INVMAN_E_ARG, "model_check: gradient is not the derivative of evaluate by this weight",
                       "element", first);
}

/* Compares the gradients of single points with f's differences in random directions. */
static invman_status invman_i_try_ways(invman_i_tried *t) {
  size_t way, k, i;
  for (way = 0; way < INVMAN_I_TRY_WAYS; way++) {
    invman_status status;
    for (k = 0; k < t->N; k++) t->way[k] = t->size[k] * invman_rng_normal(&t->rng);
    status = invman_i_tried_slopes(t, 1);
    if (status < 0) return status;
    for (i = 0; i < t->n; i++)
      if (invman_i_tried_differs(t, i, invman_i_inner(t->J + i * t->N, t->way, t->N), t->norm[i]))
        return invman_i_tried_blame(t, i);
  }
  return INVMAN_OK;
}

/* The same for a few single weights, random ones or those that matter most. */
static invman_status invman_i_try_weights(invman_i_tried *t) {
  size_t trials = invman_i_min(t->N, INVMAN_I_TRY_WEIGHTS), trial, k, i;
  for (trial = 0; trial < trials; trial++) {
    const double *J = t->J + trial % t->n * t->N;
    size_t weight = trials == t->N ? trial : (size_t)(invman_rng_uniform(&t->rng) * (double)t->N);
    invman_status status;
    for (k = 0; trial % 2 && trials < t->N && k < t->N; k++)
      if (fabs(J[k]) * t->size[k] > fabs(J[weight]) * t->size[weight]) weight = k;
    memset(t->way, 0, t->N * sizeof *t->way);
    t->way[weight] = t->size[weight];
    status = invman_i_tried_slopes(t, 1);
    if (status < 0) return status;
    for (i = 0; i < t->n; i++) {
      double wanted = t->J[i * t->N + weight] * t->size[weight];
      if (invman_i_tried_differs(t, i, wanted, fabs(wanted) + 1e-6 * t->norm[i]))
        return invman_i_fail(t->ctx, INVMAN_E_ARG,
                             "model_check: gradient is not the derivative of evaluate by this weight", "element",
                             weight);
    }
  }
  return INVMAN_OK;
}

/* Compares f of all points at once with f of one after the other. */
static invman_status invman_i_try_f(invman_i_tried *t) {
  double largest = 0;
  size_t i;
  for (i = 0; i < t->n; i++) largest = fmax(largest, fabs(t->f[i]));
  for (i = 0; i < t->n; i++) {
    invman_status status = invman_i_tried_f(t, i, 1, t->value);
    if (status < 0) return status;
    if (fabs(t->value[0] - t->f[i]) > 1000 * invman_i_tried_grain(t->f, t->n) * largest + 100 * t->noise[i])
      return invman_i_fail(t->ctx, INVMAN_E_ARG,
                           "model_check: evaluate gives another f for this point alone than among others", "element",
                           i);
  }
  return INVMAN_OK;
}

/* The same for the sum of gradients, with factors r of both signs. */
static invman_status invman_i_try_sum(invman_i_tried *t) {
  double scale = 0, most = -1;
  size_t N = t->N, i, k, blamed = 0;
  invman_status status;
  memset(t->whole, 0, N * sizeof *t->whole);
  for (i = 0; i < t->n; i++) {
    const double one = 1, *J = t->model->move ? t->G : t->J + i * N;
    double r = (0.5 + invman_rng_uniform(&t->rng)) * (invman_rng_uniform(&t->rng) < 0.5 ? -1 : 1);
    if (t->model->move && (status = invman_i_tried_gradient(t, i, 1, &one, t->G)) < 0) return status;
    t->r[i] = t->n == 1 ? -1.7 : r;
    for (k = 0; k < N; k++) t->whole[k] += t->r[i] * J[k];
    scale += fabs(t->r[i]) * sqrt(invman_i_inner(J, J, N));
  }
  status = invman_i_tried_gradient(t, 0, t->n, t->r, t->way);
  if (status < 0) return status;
  for (k = 0; k < N; k++) t->whole[k] -= t->way[k];
  scale *= fmax(t->fine, invman_i_tried_fine(t->way, N));
  if (!(sqrt(invman_i_inner(t->whole, t->whole, N)) > scale)) return INVMAN_OK;
  for (i = 0; i < t->n; i++) {
    const double one = 1, *J = t->model->move ? t->G : t->J + i * N;
    double part, square;
    if (t->model->move && (status = invman_i_tried_gradient(t, i, 1, &one, t->G)) < 0) return status;
    square = invman_i_inner(J, J, N);
    part = square > 0 ? fabs(invman_i_inner(t->whole, J, N)) / sqrt(square) : 0;
    if (part > most) {
      most = part;
      blamed = i;
    }
  }
  return invman_i_fail(t->ctx, INVMAN_E_ARG,
                       "model_check: gradient is not the sum of r times the points' gradients; about this point",
                       "element", blamed);
}

/* Compares K with the gradients' inner products, and with the K of single points. */
static invman_status invman_i_try_gram(invman_i_tried *t) {
  size_t n = t->n, N = t->N, i, j;
  double fine = invman_i_tried_fine(t->K, n * n);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) {
      const double *a = t->J + i * N, *b = t->J + j * N;
      double scale = sqrt(invman_i_inner(a, a, N)) * sqrt(invman_i_inner(b, b, N));
      double least = fine > 1e-6 ? (double)FLT_MIN : DBL_MIN;
      if (fabs(t->K[i * n + j] - invman_i_inner(a, b, N)) > fmax(fine, t->fine) * scale + least)
        return invman_i_fail(t->ctx, INVMAN_E_ARG, "model_check: gram is not the inner product of two gradients",
                             "element", i * n + j);
    }
  return INVMAN_OK;
}

static invman_status invman_i_try_gram_alone(invman_i_tried *t) {
  double fine = fmax(t->fine, invman_i_tried_fine(t->K, t->n * t->n));
  size_t i;
  for (i = 0; i < t->n; i++) {
    double own = t->K[i * t->n + i];
    invman_status status = invman_i_tried_gram(t, i, 1, t->value);
    if (status < 0) return status;
    if (fabs(t->value[0] - own) > fine * fabs(own))
      return invman_i_fail(t->ctx, INVMAN_E_ARG, "model_check: gram gives another K for this point alone", "element",
                           i);
  }
  return INVMAN_OK;
}

/* ---- models with a `move`, which alone knows what G means: f must change along it as K says. */

/* How long a move must last to go as far as the weights are large; 0 where it goes nowhere. */
static invman_status invman_i_tried_span(invman_i_tried *t, double *span) {
  double size = sqrt(invman_i_inner(t->at, t->at, t->N)), G = sqrt(invman_i_inner(t->way, t->way, t->N));
  int trial;
  *span = 0;
  if (!(size > 0)) size = sqrt((double)t->N);
  if (!(G > 0)) return INVMAN_OK;
  *span = size / G;
  for (trial = 0; trial < 4; trial++) {
    double gone = 0;
    size_t k;
    invman_status status = invman_i_tried_shift(t, 1e-3 * *span);
    if (status < 0) return status;
    for (k = 0; k < t->N; k++) gone += (t->now[k] - t->at[k]) * (t->now[k] - t->at[k]);
    gone = sqrt(gone) / size;
    if (gone == 0) *span *= 1e3;
    else *span *= gone <= DBL_MAX ? fmin(1e3, fmax(1e-3, 1e-3 / gone)) : 1e-3;
  }
  return INVMAN_OK;
}

/* Whether moves for a time and for minus that time are opposite, up to second order. */
static invman_status invman_i_try_back(invman_i_tried *t, double span) {
  double sum = 0, size = 0;
  size_t k;
  invman_status status = invman_i_tried_shift(t, 1e-4 * span);
  memcpy(t->whole, t->now, t->N * sizeof *t->now);
  if (status >= 0) status = invman_i_tried_shift(t, -1e-4 * span);
  if (status < 0) return status;
  for (k = 0; k < t->N; k++) {
    double ahead = t->whole[k] - t->at[k], back = t->now[k] - t->at[k];
    sum += (ahead + back) * (ahead + back);
    size += (ahead - back) * (ahead - back);
  }
  return sqrt(sum) <= 0.1 * sqrt(size) ? INVMAN_OK
                                       : invman_i_bad(t->ctx, "model_check: move for a negative time does not go back");
}

/* Compares K r with the slopes along G = the sum of r gradients; off: the row that differs most, n if none does. */
static invman_status invman_i_try_along(invman_i_tried *t, size_t *off) {
  size_t n = t->n, i, j;
  double span = 0, most = 0, square = 0;
  invman_status status = invman_i_tried_gradient(t, 0, n, t->r, t->way);
  if (status >= 0) status = invman_i_tried_span(t, &span);
  if (status < 0) return status;
  *off = n;
  memset(t->slope, 0, n * sizeof *t->slope);
  memset(t->error, 0, n * sizeof *t->error);
  if (span > 0) status = invman_i_try_back(t, span);
  if (span > 0 && status >= 0) status = invman_i_tried_slopes(t, span);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) square += t->r[i] * t->r[j] * t->K[i * n + j];
  for (i = 0; i < n && status >= 0; i++) {
    double wanted = invman_i_inner(t->K + i * n, t->r, n), scale = sqrt(fabs(square * t->K[i * n + i]));
    if (invman_i_tried_differs(t, i, wanted, fmax(scale, fabs(wanted))) && fabs(t->slope[i] - wanted) >= most) {
      most = fabs(t->slope[i] - wanted);
      *off = i;
    }
  }
  return status;
}

static invman_status invman_i_try_moves(invman_i_tried *t) {
  size_t n = t->n, way, i, j, off = n;
  invman_status status = INVMAN_OK;
  for (way = 0; way < INVMAN_I_TRY_WAYS && off == n && status >= 0; way++) {
    for (i = 0; i < n; i++) t->r[i] = invman_rng_normal(&t->rng);
    status = invman_i_try_along(t, &off);
  }
  if (off == n || status < 0) return status;
  i = off;
  for (j = 0; j < n; j++) { /* which column? */
    memset(t->r, 0, n * sizeof *t->r);
    t->r[j] = 1;
    status = invman_i_try_along(t, &off);
    if (status < 0) return status;
    if (off < n)
      return invman_i_fail(t->ctx, INVMAN_E_ARG, "model_check: f does not move along gradient as gram says", "element",
                           off * n + j);
  }
  return invman_i_fail(t->ctx, INVMAN_E_ARG, "model_check: f does not move along gradient as gram says", "element",
                       i * n + i);
}

/* ---- the whole check */

static void invman_i_tried_take(invman_i_tried *t, invman_i_scope *scope) {
  size_t N = t->N, n = t->n;
  t->start = invman_i_doubles(scope, N);
  t->at = invman_i_doubles(scope, N);
  t->now = invman_i_doubles(scope, N);
  t->size = invman_i_doubles(scope, N);
  t->way = invman_i_doubles(scope, N);
  t->whole = invman_i_doubles(scope, N);
  t->G = invman_i_doubles(scope, N);
  t->J = t->model->move ? NULL : invman_i_doubles(scope, invman_i_mul(n, N));
  t->K = invman_i_doubles(scope, invman_i_mul(n, n));
  t->f = invman_i_doubles(scope, n);
  t->value = invman_i_doubles(scope, n);
  t->r = invman_i_doubles(scope, n);
  t->plus = invman_i_doubles(scope, n);
  t->minus = invman_i_doubles(scope, n);
  t->difference = invman_i_doubles(scope, invman_i_mul(INVMAN_I_TRY_LENGTHS, n));
  t->bend = invman_i_doubles(scope, invman_i_mul(INVMAN_I_TRY_LENGTHS, n));
  t->noise = invman_i_doubles(scope, n);
  t->least = invman_i_doubles(scope, n);
  t->slope = invman_i_doubles(scope, n);
  t->error = invman_i_doubles(scope, n);
  t->norm = invman_i_doubles(scope, n);
}

/* The weights to try the model at: one part in a hundred away from the caller's, since at the start weights may be
   zero, so that no layer moves the others, and kinks may be met exactly. If f is not finite there, or the model has a
   `move`, they are the caller's. */
static invman_status invman_i_tried_start(invman_i_tried *t) {
  double typical = sqrt(invman_i_inner(t->start, t->start, t->N) / (double)t->N);
  size_t k;
  invman_status status = invman_i_tried_f(t, 0, t->n, t->f);
  if (status < 0) return status;
  for (k = 0; k < t->N; k++) {
    t->size[k] = fmax(fabs(t->start[k]), typical > 0 ? 0.01 * typical : 1);
    t->way[k] = t->size[k] * invman_rng_normal(&t->rng);
  }
  memcpy(t->at, t->start, t->N * sizeof *t->at);
  for (k = 0; k < t->N && !t->model->move; k++) t->at[k] += 0.01 * t->way[k];
  invman_i_tried_set(t, t->at);
  status = t->model->evaluate(t->x, t->n, t->f, t->model->user);
  if (status < 0 && status != INVMAN_E_NONFINITE) return invman_i_tried_call(t, INVMAN_I_TRY_F, status, t->f, 0);
  if (status < 0 || !invman_i_all_finite(t->f, t->n)) memcpy(t->at, t->start, t->N * sizeof *t->at);
  invman_i_tried_set(t, t->at);
  return invman_i_tried_f(t, 0, t->n, t->f);
}

static invman_status invman_i_try_gradients(invman_i_tried *t) {
  size_t N = t->N, i, k;
  const double one = 1;
  invman_status status = INVMAN_OK;
  for (i = 0; i < t->n && status >= 0; i++) {
    double *J = t->J + i * N, square = 0;
    status = invman_i_tried_gradient(t, i, 1, &one, J);
    for (k = 0; k < N && status >= 0; k++) square += J[k] * t->size[k] * (J[k] * t->size[k]);
    t->norm[i] = sqrt(square);
  }
  if (status < 0) return status;
  t->fine = invman_i_tried_fine(t->J, t->n * N);
  status = invman_i_try_ways(t);
  if (status >= 0) status = invman_i_try_weights(t);
  return status < 0 ? status : invman_i_try_gram(t);
}

static invman_status invman_i_try_model(invman_i_tried *t) {
  invman_status status = invman_i_tried_start(t);
  t->fine = 1e-6;
  if (status >= 0 && !t->model->move) status = invman_i_tried_slopes(t, 1); /* of all weights, for f's noise */
  memcpy(t->least, t->noise, t->n * sizeof *t->noise);
  if (status >= 0) status = invman_i_try_f(t);
  if (status >= 0) status = invman_i_tried_gram(t, 0, t->n, t->K);
  if (status >= 0) status = t->model->move ? invman_i_try_moves(t) : invman_i_try_gradients(t);
  if (status >= 0) status = invman_i_try_sum(t);
  if (status >= 0) status = invman_i_try_gram_alone(t);
  if (status >= 0 && t->settled == 0)
    return invman_i_bad(t->ctx, "model_check: evaluate's differences settle at no length: it jumps, or is noisy");
  return status;
}

invman_status invman_model_check(const invman_context *ctx, const invman_model *model, const double *x, size_t n,
                                 size_t d) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_tried t;
  if (scope.status >= 0) scope.status = invman_i_check_callbacks(ctx, model);
  if (scope.status >= 0 && (!x || n == 0 || d == 0)) scope.status = invman_i_bad(ctx, "model_check: no points");
  if (scope.status < 0) return scope.status;
  if (invman_i_mul(invman_i_mul(n, d), sizeof(double)) == SIZE_MAX)
    return invman_i_fail(ctx, INVMAN_E_SIZE, "sizes too large: their product overflows", "", 0);
  memset(&t, 0, sizeof t);
  t.ctx = ctx;
  t.model = model;
  t.x = x;
  t.n = n;
  t.d = d;
  t.N = model->size;
  invman_rng_seed(&t.rng, 1, 0);
  invman_i_tried_take(&t, &scope);
  if (scope.status >= 0) scope.status = invman_i_check_finite(ctx, x, n * d, "model_check: a point is not finite");
  if (scope.status >= 0)
    scope.status = invman_i_check_finite(ctx, model->weights, t.N, "model_check: a weight is not finite");
  if (scope.status < 0) return invman_i_close(&scope);
  memcpy(t.start, model->weights, t.N * sizeof(double));
  memcpy(t.now, model->weights, t.N * sizeof(double));
  scope.status = invman_i_try_model(&t);
  memcpy(model->weights, t.start, t.N * sizeof(double));
  return invman_i_close(&scope);
}

/* ======================================================================================================== >>momentum
   The paper's own dynamics, and the functions that make a model's flow, with these or the event-driven dynamics. */

/* How far the gradient turned, |G - G'|^2/(|G| |G'|). */
static double invman_i_gradient_turn(const double *G, const double *H, size_t n) {
  double norms = sqrt(invman_i_inner(G, G, n)) * sqrt(invman_i_inner(H, H, n)), sum = 0;
  size_t k;
  for (k = 0; k < n; k++) sum += (G[k] - H[k]) * (G[k] - H[k]);
  return norms > 0 ? sum / norms : 0;
}

/* One explicit step of the paper's own dynamics, tau dv/dt = G - v, dW/dt = v. It is taken again at a tenth of its
   length if the gradient turns or an output changes by more than is allowed. */
static invman_status invman_i_momentum_step(invman_flow *flow) {
  invman_i_model_flow *f = invman_i_model_of(flow);
  const invman_flow_options *o = &flow->options;
  size_t N = f->model.size, p = flow->batch.train->n, above = 0, k, i;
  double keep, turn, change, dt;
  for (;; flow->info.rejected++, flow->dt = 0.1 * dt) {
    int last = o->t_max > 0 && flow->dt >= (o->t_max - flow->info.t) * (1 - 1e-12), moves = 0;
    dt = last ? o->t_max - flow->info.t : flow->dt;
    if (!(dt > fmax(DBL_MIN, 0.5 * DBL_EPSILON * flow->info.t))) return invman_i_end(flow, INVMAN_END_ROUNDING);
    flow->batch.beyond = 0;
    keep = o->momentum > 0 ? invman_i_exp(-dt / o->momentum) : 0;
    for (k = 0; k < N; k++) {
      f->here[k] = keep * f->velocity[k] + (1 - keep) * f->last_G[k];
      f->model.weights[k] = f->base[k] + dt * f->here[k];
      moves |= f->here[k] != 0 || f->last_G[k] != 0;
    }
    if (!moves) return invman_i_end(flow, INVMAN_END_REST);
    invman_i_eval_margins(flow, flow->batch.next);
    if (flow->scope.status < 0) return flow->scope.status;
    for (i = 0, change = 0; i < p; i++) change = invman_i_worst(change, fabs(flow->batch.next[i] - flow->margin[i]));
    if (!(change < o->max_dout)) continue;
    invman_i_gradient_at(flow, flow->batch.next);
    if (flow->scope.status < 0) return flow->scope.status;
    turn = flow->batch.beyond ? HUGE_VAL : invman_i_gradient_turn(f->G, f->last_G, N);
    if (turn < o->max_dgrad) {
      memcpy(f->velocity, f->here, N * sizeof *f->here);
      invman_i_accept(flow, dt);
      for (i = 0; i < p; i++) above += flow->margin[i] > 1;
      if (flow->info.t_star == 0 && above >= invman_i_share(flow)) flow->info.t_star = flow->info.t;
      if (last) flow->info.t = o->t_max;
      else if (turn < 0.5 * o->max_dgrad && change < 0.5 * o->max_dout) flow->dt *= 1.1;
      return INVMAN_OK;
    }
  }
}

/* ---- making such a flow */

static invman_status invman_i_check_model(const invman_context *ctx, const invman_model *model,
                                          const invman_data *train, invman_flow_options *o) {
  invman_status status;
  if (o->single) return invman_i_bad(ctx, "flow: single precision is for networks (flow_create)");
  if (o->rotation_tol != 0) return invman_i_bad(ctx, "flow: rotation_tol is for networks; a model has relative_tol");
  o->relative_tol = invman_i_or(o->relative_tol, 0.03);
  status = train ? invman_i_check_flow(ctx, train->d, train, o) : invman_i_check_data(ctx, train);
  if (status < 0) return status;
  return invman_i_check_callbacks(ctx, model);
}

static invman_status invman_i_make_model_flow(const invman_context *ctx, const invman_model *model,
                                              const invman_data *train, const invman_flow_options *o,
                                              invman_flow **out) {
  invman_flow *flow;
  invman_i_model_flow *f;
  size_t p = train->n, N = model->size;
  invman_status status = invman_i_flow_take(ctx, train, o, &flow);
  if (status < 0) return status;
  if (o->dynamics == INVMAN_MOMENTUM) flow->advance = invman_i_momentum_step;
  flow->backend = &invman_i_model_backend;
  flow->batch.unit = 1 / (double)p;
  flow->self_ = f = (invman_i_model_flow *)invman_i_take(&flow->scope, 1, sizeof *f);
  if (!f) return invman_i_made(flow, out);
  f->batch = &flow->batch;
  f->model = *model;
  f->patience = INVMAN_I_DOUBTS;
  f->initial = invman_i_doubles(&flow->scope, N);
  f->base = invman_i_doubles(&flow->scope, N);
  f->here = invman_i_doubles(&flow->scope, N);
  f->G = invman_i_doubles(&flow->scope, N);
  f->last_G = invman_i_doubles(&flow->scope, N);
  if (o->dynamics == INVMAN_MOMENTUM) f->velocity = invman_i_doubles(&flow->scope, N);
  f->x_list = invman_i_doubles(&flow->scope, invman_i_mul(p, train->d));
  f->r_list = invman_i_doubles(&flow->scope, p);
  f->shifted = invman_i_doubles(&flow->scope, p);
  return invman_i_made(flow, out);
}

invman_status invman_flow_create_model(const invman_context *ctx, const invman_model *model, const invman_data *train,
                                       const invman_flow_options *options, invman_flow **out) {
  invman_flow_options o;
  invman_flow *f = NULL;
  invman_status status;
  if (!out) return invman_i_bad(ctx, "flow_create_model: out is NULL");
  *out = NULL;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  status = invman_i_check_model(ctx, model, train, &o);
  if (status == INVMAN_OK)
    status = invman_i_check_finite(ctx, model->weights, model->size, "flow: the model's weights are not finite");
  if (status == INVMAN_OK) status = invman_i_make_model_flow(ctx, model, train, &o, &f);
  if (status < 0) return status;
  memcpy(invman_i_model_of(f)->initial, model->weights, model->size * sizeof(double));
  memcpy(invman_i_model_of(f)->base, model->weights, model->size * sizeof(double));
  return invman_i_start_flow(f, out);
}

invman_status invman_train_model(const invman_context *ctx, const invman_model *model, const invman_data *train,
                                 const invman_flow_options *options, invman_flow_info *info) {
  invman_flow *flow;
  invman_status status = invman_flow_create_model(ctx, model, train, options, &flow);
  return status < 0 ? status : invman_i_run_and_free(flow, info);
}

/* ================================================================================================= >>kpca
   What a kernel tells about the labels: its principal components, the mutual information of each with the label
   (Appendix D), and the intrinsic dimension of the points behind the kernel (TwoNN). */

/* ---- principal components */

enum { INVMAN_I_PCA_SMALL = 16 }; /* r below n/16: by products */

typedef struct invman_i_pca {
  const invman_context *ctx;
  const double *K;
  double *partial;
} invman_i_pca;

static void invman_i_pca_apply(const double *x, double *y, size_t n, void *arg) {
  const invman_i_pca *s = (const invman_i_pca *)arg;
  invman_i_symmetric_times(s->ctx, s->K, n, n, x, s->partial, y);
}

/* The r largest eigenvalues and their vectors, of norm one */
static invman_status invman_i_pca_vectors(invman_i_scope *scope, const double *K, size_t n, size_t r, double *lambda,
                                          double *V) {
  if (r < n / INVMAN_I_PCA_SMALL) {
    invman_i_pca s;
    s.ctx = scope->ctx;
    s.K = K;
    s.partial = invman_i_doubles(scope, INVMAN_I_SYMV_GROUPS * n);
    return scope->status < 0 ? scope->status : invman_eigh_top(scope->ctx, n, r, invman_i_pca_apply, &s, 0, lambda, V);
  } else {
    double *copy = invman_i_doubles(scope, invman_i_mul(n, n)), *all = invman_i_doubles(scope, n);
    invman_status status;
    if (scope->status < 0) return scope->status;
    memcpy(copy, K, n * n * sizeof *copy);
    status = invman_eigh(scope->ctx, n, copy, all);
    if (status < 0) return status;
    memcpy(lambda, all, r * sizeof *lambda);
    memcpy(V, copy, r * n * sizeof *V);
    return status;
  }
}

static invman_status invman_i_check_pca(const invman_context *ctx, const double *K, const double *y, size_t n, size_t r,
                                        const double *omega2) {
  invman_status status;
  size_t i;
  if (r > n || (omega2 && !y)) return invman_i_bad(ctx, "kernel_pca: r exceeds n, or omega2 without y");
  if (n > 0 && !K) return invman_i_bad(ctx, "kernel_pca: K is NULL");
  if (invman_i_mul(n, n) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "kernel_pca: n*n overflows", "", 0);
  status = invman_i_check_finite(ctx, K, n * n, "kernel_pca: K is not finite");
  for (i = 0; y && i < n && status == INVMAN_OK; i++)
    if (y[i] != 1 && y[i] != -1)
      status = invman_i_fail(ctx, y[i] - y[i] == 0 ? INVMAN_E_ARG : INVMAN_E_NONFINITE,
                             "kernel_pca: a label is neither -1 nor +1", "element", i);
  return status;
}

invman_status invman_kernel_pca(const invman_context *ctx, const double *K, const double *y, size_t n, size_t r,
                                double *lambda, double *phi, double *omega2) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_pca(ctx, K, y, n, r, omega2);
  double *values, *V, root = sqrt((double)n);
  size_t i, j;
  if (status < 0 || r == 0) return status;
  values = lambda ? lambda : invman_i_doubles(&scope, r);
  V = phi ? phi : invman_i_doubles(&scope, invman_i_mul(r, n));
  if (scope.status == INVMAN_OK) scope.status = invman_i_pca_vectors(&scope, K, n, r, values, V);
  for (i = 0; i < r && scope.status >= 0; i++) {
    for (j = 0; j < n; j++) V[i * n + j] *= root;
    if (omega2) {
      double share = invman_i_inner(V + i * n, y, n) / (double)n;
      omega2[i] = fmin(1, share * share);
    }
  }
  return invman_i_close(&scope);
}

/* ---- mutual information: I = H(y) - mean h_2(q) (Eq. 16, which has H(y) = 1), q the probability of a label at a
   point. With k neighbours of either class, class c has the density k/(n_c r_c^dim) and the share n_c/n of the points:
   n_c cancels, and q = 1/(1 + (r_own/r_other)^dim), r the distances of a point to the k-th neighbour in its own class
   and in the other. Where distances tie, each class has as many in place of k as are no farther than r_c (Ross, 2014;
   Gao, Kannan, Oh and Viswanath, 2017). Where an r is 0, q is the share of the label among all points at this place.
   Distances enter by their ratios only. */

enum { INVMAN_I_MI_TASKS = 64, INVMAN_I_MI_TILE = 16, INVMAN_I_MI_WIDE = 450, INVMAN_I_MI_FEW = 64 };
static const double invman_i_tied = 1 + 1e-9; /* distances up to this ratio are one */

typedef struct invman_i_near {
  double r;     /* distance to the k-th neighbour; for dim > 1 squared, unless the points are wide */
  double count; /* points no farther than that */
} invman_i_near;

typedef struct invman_i_mi {
  size_t n, dim;
  size_t k, own;                /* neighbours in the other class, and in the own one with the point itself among them */
  size_t plus;                  /* points labelled +1 */
  int wide;                     /* squares of differences may underflow */
  int few;                      /* v has few values */
  double *v;                    /* (n,dim) in the caller's order, scaled */
  double *x;                    /* (n,dim) the points labelled +1, then the others; for dim = 1 each ascending */
  invman_i_near *same, *others; /* (n) of the point's own class, of the other, in x's order */
  double *entropy;              /* (n) of the label at the point, in bits */
  double *heaps;                /* (tasks, k + 1) */
  size_t tile;                  /* points per task */
} invman_i_mi;

/* Scales by a power of two to below 1 if the squares of all differences then stay above 0; else to below 2^1000, where
   sums of differences stay finite and no more than 2^-2074 of the largest is lost. Returns 1 in the second case. */
static int invman_i_mi_scale(const double *v, size_t count, double *out) {
  double most = 0, least = DBL_MAX;
  int high = 0, low = 0, wide;
  size_t i;
  for (i = 0; i < count; i++) {
    double size = fabs(v[i]);
    if (size > most) most = size;
    if (size > 0 && size < least) least = size;
  }
  (void)frexp(most, &high);
  (void)frexp(most > 0 ? least : most, &low);
  wide = high - low > INVMAN_I_MI_WIDE;
  for (i = 0; i < count; i++) out[i] = ldexp(v[i], (wide ? 1000 : 0) - high);
  return wide;
}

/* Whether v has at most n/(2k) different values, and 64: then the plug-in estimate is no more biased than distances
   are, about values/(2 n ln 2). */
static int invman_i_mi_few(const invman_i_mi *s) {
  size_t found[INVMAN_I_MI_FEW], limit = invman_i_min(s->n / s->k / 2, INVMAN_I_MI_FEW), count = 0, i, j, l;
  for (i = 0; i < s->n; i++) {
    for (j = 0; j < count; j++) {
      const double *a = s->v + i * s->dim, *b = s->v + found[j] * s->dim;
      for (l = 0; l < s->dim && a[l] == b[l];) l++;
      if (l == s->dim) break;
    }
    if (j < count) continue;
    if (count == limit) return 0;
    found[count++] = i;
  }
  return 1;
}

static invman_status invman_i_check_mi(const invman_context *ctx, const double *v, size_t dim, const double *y,
                                       size_t n, const invman_mi_options *options, invman_i_mi *s) {
  invman_status status;
  size_t i;
  memset(s, 0, sizeof *s);
  if (!v || !y || dim == 0) return invman_i_bad(ctx, "mutual_information: v or y is NULL, or dim is 0");
  if (invman_i_mul(n, dim) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "mutual_information: n*dim overflows", "", 0);
  status = invman_i_check_finite(ctx, v, n * dim, "mutual_information: v is not finite");
  if (status < 0) return status;
  status = invman_i_check_labels(ctx, y, n, "mutual_information: a label is neither -1 nor +1");
  if (status < 0) return status;

  s->n = n;
  s->dim = dim;
  s->k = options && options->k > 0 ? options->k : 5;
  for (i = 0; i < n; i++) s->plus += y[i] > 0;
  if (s->plus <= s->k || n - s->plus <= s->k)
    return invman_i_bad(ctx, "mutual_information: each label must be there more than k times");
  s->own = options && options->count_self ? s->k : s->k + 1;
  return INVMAN_OK;
}

static void invman_i_mi_take(invman_i_scope *scope, const double *v, invman_i_mi *s) {
  size_t tasks = invman_i_min((s->n - 1) / INVMAN_I_MI_TILE + 1, INVMAN_I_MI_TASKS);
  s->tile = (s->n - 1) / tasks + 1;
  s->v = invman_i_doubles(scope, invman_i_mul(s->n, s->dim));
  s->x = invman_i_doubles(scope, invman_i_mul(s->n, s->dim));
  s->same = (invman_i_near *)invman_i_take(scope, s->n, sizeof(invman_i_near));
  s->others = (invman_i_near *)invman_i_take(scope, s->n, sizeof(invman_i_near));
  s->entropy = invman_i_doubles(scope, s->n);
  if (s->dim > 1) s->heaps = invman_i_doubles(scope, invman_i_mul(tasks, s->k + 1));
  if (scope->status < 0) return;
  s->wide = invman_i_mi_scale(v, s->n * s->dim, s->v);
  s->few = invman_i_mi_few(s);
}

static void invman_i_mi_split(const invman_i_mi *s, const double *y) {
  size_t i, at[2];
  at[0] = 0;
  at[1] = s->plus;
  for (i = 0; i < s->n; i++) memcpy(s->x + at[y[i] < 0]++ * s->dim, s->v + i * s->dim, s->dim * sizeof(double));
}

/* The number of the ascending z (m) that are no farther than r from x. */
static size_t invman_i_up_to(const double *z, size_t m, double x, double r) {
  size_t from = 0, to = m, end = m;
  while (from < to) { /* the first that is not farther below */
    size_t middle = from + (to - from) / 2;
    if (x - z[middle] > r) from = middle + 1;
    else to = middle;
  }
  for (to = from; to < end;) { /* the first after it that is farther above */
    size_t middle = to + (end - to) / 2;
    if (z[middle] - x > r) end = middle;
    else to = middle + 1;
  }
  return end - from;
}

/* The k-th neighbours of x_i among z, both ascending: the k nearest are a window z_low.., which moves up while its
   lowest is farther away than the next above it. */
static void invman_i_kth_on_line(const double *x, size_t n, const double *z, size_t m, size_t k, invman_i_near *near_) {
  size_t i, low = 0;
  for (i = 0; i < n; i++) {
    double below, above, r;
    while (low + k < m && x[i] - z[low] > z[low + k] - x[i]) low++;
    below = x[i] - z[low];
    above = z[low + k - 1] - x[i];
    near_[i].r = below > above ? below : above;
    near_[i].count = (double)k;
    r = near_[i].r * invman_i_tied;
    if ((low > 0 && x[i] - z[low - 1] <= r) || (low + k < m && z[low + k] - x[i] <= r))
      near_[i].count = (double)invman_i_up_to(z, m, x[i], r);
  }
}

static double invman_i_wide_distance(const double *a, const double *b, size_t dim) {
  double sum = 0, most = 0;
  size_t j;
  for (j = 0; j < dim; j++) most = fmax(most, fabs(a[j] - b[j]));
  for (j = 0; j < dim && most > 0; j++) sum += (a[j] - b[j]) / most * ((a[j] - b[j]) / most);
  return most * sqrt(sum);
}

/* The squared distance, or the distance itself where the square might underflow */
static double invman_i_distance_to(const double *a, const double *b, size_t dim, int wide) {
  double sum = 0;
  size_t j;
  if (wide) return invman_i_wide_distance(a, b, dim);
  for (j = 0; j < dim; j++) sum += (a[j] - b[j]) * (a[j] - b[j]);
  return sum;
}

static size_t invman_i_count_near(const invman_i_mi *s, const double *x, const double *rows, size_t m, double r) {
  size_t i, count = 0;
  for (i = 0; i < m; i++) count += invman_i_distance_to(x, rows + i * s->dim, s->dim, s->wide) <= r;
  return count;
}

/* The k-th smallest distance of m rows from x. */
static invman_i_near invman_i_kth(const invman_i_mi *s, const double *x, const double *rows, size_t m, size_t k,
                                  double *heap) {
  double beyond = HUGE_VAL, tied = s->wide ? invman_i_tied : invman_i_tied * invman_i_tied;
  size_t dim = s->dim, i;
  int wide = s->wide;
  invman_i_near found;
  for (i = 0; i < k; i++) heap[i] = invman_i_distance_to(x, rows + i * dim, dim, wide);
  invman_i_heapify(heap, k);
  for (; i < m; i++) {
    double far_ = invman_i_distance_to(x, rows + i * dim, dim, wide);
    if (far_ >= heap[0]) {
      if (far_ < beyond) beyond = far_;
      continue;
    }
    beyond = heap[0];
    heap[0] = far_;
    invman_i_sift(heap, k, 0);
  }
  found.r = heap[0];
  found.count = (double)(beyond <= heap[0] * tied ? invman_i_count_near(s, x, rows, m, heap[0] * tied) : k);
  return found;
}

/* The ratio of the lesser of two numbers to the larger */
static double invman_i_odds(double a, double b) { return a < b ? a / b : b / a; }

/* The entropy of a label with these odds, 0 to 1, in bits */
static double invman_i_label_entropy(double t) {
  return t > 0 ? (invman_i_log1p(t) - t / (1 + t) * invman_i_log(t)) / 0.69314718055994530942 : 0;
}

/* The entropy of the label among the points at x_i's own place */
static double invman_i_place_entropy(const invman_i_mi *s, size_t i) {
  const double *x = s->x + i * s->dim, *minus = s->x + s->plus * s->dim;
  size_t m = s->n - s->plus, a, b;
  a = s->dim == 1 ? invman_i_up_to(s->x, s->plus, *x, 0) : invman_i_count_near(s, x, s->x, s->plus, 0);
  b = s->dim == 1 ? invman_i_up_to(minus, m, *x, 0) : invman_i_count_near(s, x, minus, m, 0);
  return invman_i_label_entropy(invman_i_odds((double)a, (double)b));
}

/* The entropy of the label at x_i: from the points at this place if values are few or k of a class are here, else from
   both classes' densities. */
static double invman_i_point_entropy(const invman_i_mi *s, size_t i) {
  double a = s->same[i].r, b = s->others[i].r, t, counts;
  if (s->few || !(a > 0 && b > 0)) return invman_i_place_entropy(s, i);
  t = invman_i_power(invman_i_odds(a, b), s->dim == 1 || s->wide ? (double)s->dim : 0.5 * (double)s->dim);
  counts = (s->same[i].count - (double)(s->own - s->k)) / s->others[i].count;
  t = a < b ? t / counts : t * counts;
  return invman_i_label_entropy(t > 1 ? 1 / t : t);
}

static void invman_i_mi_line(const invman_i_mi *s) {
  size_t plus = s->plus, minus = s->n - plus, i;
  double *a = s->x, *b = s->x + plus;
  invman_i_sort(a, plus);
  invman_i_sort(b, minus);
  if (!s->few) {
    invman_i_kth_on_line(a, plus, a, plus, s->own, s->same);
    invman_i_kth_on_line(a, plus, b, minus, s->k, s->others);
    invman_i_kth_on_line(b, minus, b, minus, s->own, s->same + plus);
    invman_i_kth_on_line(b, minus, a, plus, s->k, s->others + plus);
  }
  for (i = 0; i < s->n; i++) s->entropy[i] = invman_i_point_entropy(s, i);
}

static void invman_i_mi_points(size_t task, void *arg) {
  const invman_i_mi *s = (const invman_i_mi *)arg;
  double *heap = s->heaps + task * (s->k + 1);
  size_t i, end = invman_i_min((task + 1) * s->tile, s->n), plus = s->plus, minus = s->n - plus;
  const double *rows[2];
  rows[0] = s->x;
  rows[1] = s->x + plus * s->dim;
  for (i = task * s->tile; i < end; i++) {
    const double *x = s->x + i * s->dim;
    int own = i >= plus;
    if (!s->few) {
      s->same[i] = invman_i_kth(s, x, rows[own], own ? minus : plus, s->own, heap);
      s->others[i] = invman_i_kth(s, x, rows[!own], own ? plus : minus, s->k, heap);
    }
    s->entropy[i] = invman_i_point_entropy(s, i);
  }
}

/* The labels' entropy that the mean over the points is compared with: 1 where the points' entropies come from densities
   and the classes' shares are those of fair draws, elsewhere the exact one. */
static double invman_i_mi_prior(const invman_i_mi *s, double exact) {
  double difference = (double)s->plus - (double)(s->n - s->plus);
  size_t i, count = 0;
  if (s->few || difference * difference > (double)s->n) return exact;
  for (i = 0; i < s->n; i++) count += s->same[i].r > 0 && s->others[i].r > 0;
  return exact + (1 - exact) * ((double)count / (double)s->n);
}

/* The mutual information with the labels y, in bits. Each class is summed on its own, so that exchanging the classes
   changes no bit. What rounding may leave of 0 becomes 0. */
static double invman_i_mi_measure(const invman_context *ctx, invman_i_mi *s, const double *y) {
  double sum[2] = {0, 0}, most = invman_i_label_entropy(invman_i_odds((double)s->plus, (double)(s->n - s->plus))), bits;
  size_t i;
  invman_i_mi_split(s, y);
  if (s->dim == 1) invman_i_mi_line(s);
  else
    invman_i_parallel(ctx, (s->n - 1) / s->tile + 1, invman_i_mi_points, s,
                      (double)s->n * (double)s->n * (double)s->dim);
  for (i = 0; i < s->n; i++) sum[i >= s->plus] += s->entropy[i];
  bits = invman_i_mi_prior(s, most) - (sum[0] + sum[1]) / (double)s->n;
  return bits > (double)s->n * DBL_EPSILON ? fmin(bits, most) : 0;
}

invman_status invman_mutual_information(const invman_context *ctx, const double *v, size_t dim, const double *y,
                                        size_t n, const invman_mi_options *options, double *bits) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_mi s;
  invman_status status;
  if (!bits) return invman_i_bad(ctx, "mutual_information: bits is NULL");
  status = invman_i_check_mi(ctx, v, dim, y, n, options, &s);
  if (status < 0) return status;
  invman_i_mi_take(&scope, v, &s);
  if (scope.status == INVMAN_OK) *bits = invman_i_mi_measure(ctx, &s, y);
  return invman_i_close(&scope);
}

invman_status invman_mutual_information_null(const invman_context *ctx, const double *v, size_t dim, const double *y,
                                             size_t n, const invman_mi_options *options, size_t draws, invman_rng *rng,
                                             double *mean, double *deviation) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_mi s;
  invman_status status;
  double *labels, average = 0, square = 0;
  size_t i;
  if (!rng || draws == 0) return invman_i_bad(ctx, "mutual_information_null: rng is NULL, or draws is 0");
  status = invman_i_check_mi(ctx, v, dim, y, n, options, &s);
  if (status < 0) return status;
  invman_i_mi_take(&scope, v, &s);
  labels = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);

  memcpy(labels, y, n * sizeof *labels);
  for (i = 0; i < draws; i++) { /* mean and squares by Welford's recurrence */
    double bits, change;
    invman_i_shuffle(labels, n, rng);
    bits = invman_i_mi_measure(ctx, &s, labels);
    change = bits - average;
    average += change / (double)(i + 1);
    square += change * (bits - average);
  }
  if (mean) *mean = average;
  if (deviation) *deviation = draws > 1 ? sqrt(square / (double)(draws - 1)) : 0;
  return invman_i_close(&scope);
}

/* ---- intrinsic dimension: where the density is even, F(r2/r1) = 1 - (r2/r1)^-d for the distances to a point's two
   nearest neighbours, and ln(r2/r1) has mean 1/d */

enum { INVMAN_I_TWONN_TILE = 16 };

typedef struct invman_i_twonn {
  const double *K; /* (n,n) */
  size_t n;
  double *diagonal;     /* (n) */
  unsigned char *equal; /* (n) 1: another point is at distance 0 */
  double *log_ratio;    /* (n) ln(r2/r1) */
} invman_i_twonn;

/* A quarter of the squared distance K_ii + K_jj - 2 K_ij, which cannot overflow; 0 up to what the rounding of the
   three may leave of 0, and where rounding makes it negative. */
static double invman_i_kernel_distance(double ii, double jj, double ij) {
  double norms = 0.25 * ii + 0.25 * jj, square = norms - 0.5 * ij;
  return square > 16 * DBL_EPSILON * fabs(norms) ? square : 0;
}

/* diagonal: K_jj is at j*stride */
static int invman_i_has_equal(const double *row, const double *diagonal, size_t stride, size_t n, size_t i) {
  size_t j;
  for (j = 0; j < n; j++)
    if (j != i && invman_i_kernel_distance(diagonal[i * stride], diagonal[j * stride], row[j]) == 0) return 1;
  return 0;
}

size_t invman_duplicates(const double *K, size_t n) {
  size_t i, count = 0;
  if (!K) return 0;
  for (i = 0; i < n; i++) count += (size_t)invman_i_has_equal(K + i * n, K, n + 1, n, i);
  return count;
}

static void invman_i_mark_equal(size_t task, void *arg) {
  const invman_i_twonn *s = (const invman_i_twonn *)arg;
  size_t i, end = invman_i_min((task + 1) * INVMAN_I_TWONN_TILE, s->n);
  for (i = task * INVMAN_I_TWONN_TILE; i < end; i++)
    s->equal[i] = (unsigned char)invman_i_has_equal(s->K + i * s->n, s->diagonal, 1, s->n, i);
}

static void invman_i_two_nearest(size_t task, void *arg) {
  const invman_i_twonn *s = (const invman_i_twonn *)arg;
  size_t i, j, end = invman_i_min((task + 1) * INVMAN_I_TWONN_TILE, s->n);
  for (i = task * INVMAN_I_TWONN_TILE; i < end; i++) {
    const double *row = s->K + i * s->n;
    double first = HUGE_VAL, second = HUGE_VAL;
    if (s->equal[i]) continue;
    for (j = 0; j < s->n; j++) {
      double square;
      if (j == i || s->equal[j]) continue;
      square = invman_i_kernel_distance(s->diagonal[i], s->diagonal[j], row[j]);
      if (square < first) {
        second = first;
        first = square;
      } else if (square < second) {
        second = square;
      }
    }
    s->log_ratio[i] =
        0.5 * (second / first <= DBL_MAX ? invman_i_log(second / first) : invman_i_log(second) - invman_i_log(first));
  }
}

invman_status invman_intrinsic_dimension(const invman_context *ctx, const double *K, size_t n, double *dimension,
                                         double *stderr_) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_twonn s;
  invman_status status;
  size_t i, count = 0, tasks = n / INVMAN_I_TWONN_TILE + 1;
  double sum = 0, value, work = (double)n * (double)n;
  if (!K) return invman_i_bad(ctx, "intrinsic_dimension: K is NULL");
  if (invman_i_mul(n, n) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "intrinsic_dimension: n*n overflows", "", 0);
  status = invman_i_check_finite(ctx, K, n * n, "intrinsic_dimension: K is not finite");
  if (status < 0) return status;
  s.K = K;
  s.n = n;
  s.diagonal = invman_i_doubles(&scope, n);
  s.log_ratio = invman_i_doubles(&scope, n);
  s.equal = (unsigned char *)invman_i_take(&scope, n, 1);
  if (scope.status < 0) return invman_i_close(&scope);

  for (i = 0; i < n; i++) s.diagonal[i] = K[i * n + i];
  invman_i_parallel(ctx, tasks, invman_i_mark_equal, &s, work);
  for (i = 0; i < n; i++) count += !s.equal[i];
  if (count < 3) {
    scope.status = invman_i_bad(ctx, "intrinsic_dimension: fewer than three points that have no equal");
    return invman_i_close(&scope);
  }
  invman_i_parallel(ctx, tasks, invman_i_two_nearest, &s, work);
  for (i = 0; i < n; i++) sum += s.log_ratio[i];

  value = sum > 0 ? (double)(count + 1) / sum : HUGE_VAL;
  if (dimension) *dimension = value;
  if (stderr_) *stderr_ = value / sqrt((double)count);
  return invman_i_close(&scope);
}

#ifndef INVMAN_NO_THEORY
/* =============================================================================================== >>theory
   The paper's Section 3.2 and Appendix C: one neuron of the stripe model, before t*, for p -> infinity. */

static double invman_i_density(double x) { return 0.39894228040143267794 * exp(-0.5 * x * x); }
static double invman_i_normal(double x) { return 0.5 * erfc(-0.70710678118654752440 * x); }
static double invman_i_step(double x) { return x > 0 ? 1 : x < 0 ? 0 : 0.5; }

/* Owen's T(h,a) = 1/(2 pi) int_0^atan(a) exp(-h^2/(2 cos^2)) for 0 <= a <= 1, by Gauss and Legendre's 20 nodes */
static double invman_i_owen_within(double h, double a) {
  static const double node[] = {0.993128599185094925, 0.963971927277913791, 0.912234428251325906, 0.839116971822218823,
                                0.746331906460150793, 0.636053680726515025, 0.510867001950827098, 0.373706088715419561,
                                0.227785851141645078, 0.076526521133497334};
  static const double weight[INVMAN_I_COUNT(node)] = {
      0.017614007139152118, 0.040601429800386941, 0.062672048334109064, 0.083276741576704749, 0.101930119817240435,
      0.118194531961518417, 0.131688638449176627, 0.142096109318382051, 0.149172986472603747, 0.152753387130725851};
  double half = 0.5 * atan(a), sum = 0;
  size_t k;
  int side;
  for (k = 0; k < INVMAN_I_COUNT(node); k++)
    for (side = -1; side <= 1; side += 2) {
      double c = cos(half * (1 + side * node[k]));
      sum += weight[k] * exp(-0.5 * h * h / (c * c));
    }
  return half * sum / 6.28318530717958647693;
}

static double invman_i_owen(double h, double a) { /* even in h, odd in a; a may be infinite */
  double size = fabs(a), value, q, r;
  h = fabs(h);
  if (size <= 1) {
    value = invman_i_owen_within(h, size);
  } else {
    q = invman_i_normal(-h);
    r = size <= DBL_MAX ? invman_i_normal(-size * h) : h > 0 ? 0 : 0.5;
    value = 0.5 * (q + r) - q * r - (size <= DBL_MAX ? invman_i_owen_within(size * h, 1 / size) : 0);
  }
  return a < 0 ? -value : value;
}

/* P(X < h, U < k) of standard normals with correlation rho (Owen, 1956); root = sqrt(1 - rho^2), given for accuracy */
static double invman_i_binormal(double h, double k, double rho, double root) {
  if (root == 0) {
    double p = rho > 0 ? invman_i_normal(h < k ? h : k) : invman_i_normal(h) - invman_i_normal(-k);
    return p > 0 ? p : 0;
  }
  if (h == 0 && k == 0) return 0.25 + atan2(rho, root) / 6.28318530717958647693;
  return 0.5 * (invman_i_normal(h) + invman_i_normal(k)) - invman_i_owen(h, (k - rho * h) / (h * root)) -
         invman_i_owen(k, (h - rho * k) / (k * root)) - (h * k < 0 || (h * k == 0 && h + k < 0) ? 0.5 : 0);
}

typedef struct invman_i_stripe {
  const double *interfaces;
  size_t count;
} invman_i_stripe;

static invman_i_stripe invman_i_stripe_of(const double *interfaces, size_t count) {
  static const double paper[2] = {-0.3, 1.18549233272327254};
  invman_i_stripe s;
  s.interfaces = interfaces ? interfaces : paper;
  s.count = interfaces ? count : 2;
  return s;
}

/* <y(centre + spread x)>, x ~ N(0,1): the label at infinity, and what each interface takes from it */
static double invman_i_mean_label(invman_i_stripe s, double centre, double spread) {
  double sum = s.count % 2 ? -1 : 1;
  size_t j;
  for (j = 0; j < s.count; j++) {
    double gap = s.interfaces[j] - centre;
    sum += (j % 2 ? -2 : 2) * (spread > 0 ? invman_i_normal(gap / spread) : invman_i_step(gap));
  }
  return sum;
}

/* Appendix C.1 in closed form. With s = |omega|, c = sqrt(d) b: the neuron is active where u = -(omega.x)/s < c/s, a
   normal whose correlation with x_1 is -omega_1/s; <y x_1 1> = <d(y g)/dx_1> with g the probability of being active at
   given x_1: a jump at every interface, and <y g'>. */
void invman_stripe_averages(const double *interfaces, size_t count, size_t d, double omega_1, double omega_perp,
                            double b, double mean[3]) {
  invman_i_stripe s = invman_i_stripe_of(interfaces, count);
  double c = sqrt((double)d) * b, size = sqrt(omega_1 * omega_1 + omega_perp * omega_perp);
  double rho = size > 0 ? -omega_1 / size : 0, spread = size > 0 ? omega_perp / size : 0, k = size > 0 ? c / size : 0;
  double level, sum;
  size_t j;
  if (!mean) return;
  if (!(size > 0)) { /* active everywhere, or nowhere */
    double on = invman_i_step(b);
    for (j = 0, mean[0] = 0; j < s.count; j++) mean[0] += (j % 2 ? 2 : -2) * invman_i_density(s.interfaces[j]) * on;
    mean[1] = 0;
    mean[2] = on * invman_i_mean_label(s, 0, 1);
    return;
  }
  level = invman_i_density(k) * invman_i_mean_label(s, k * rho, spread);
  mean[0] = -rho * level;
  mean[1] = spread * level;
  sum = (s.count % 2 ? -1 : 1) * invman_i_normal(k);
  for (j = 0; j < s.count; j++) {
    double a = s.interfaces[j], jump = j % 2 ? 2 : -2, drive = omega_1 * a + c;
    double active = omega_perp > 0 ? invman_i_normal(drive / omega_perp) : invman_i_step(drive);
    mean[0] += jump * invman_i_density(a) * active;
    sum -= jump * invman_i_binormal(a, k, rho, spread);
  }
  mean[2] = sum;
}

void invman_stripe_integrals(const double *interfaces, size_t count, double zeta, int sign, double *c1, double *cb) {
  double mean[3];
  invman_stripe_averages(interfaces, count, 1, sign < 0 ? -1 : 1, 0, sign < 0 ? zeta : -zeta, mean);
  if (c1) *c1 = mean[0];
  if (cb) *cb = mean[2];
}

double invman_stripe_label(const double *interfaces, size_t count, double x_1) {
  return invman_i_mean_label(invman_i_stripe_of(interfaces, count), x_1, 0);
}

/* ---- fixed points */

static double invman_i_pull(invman_i_stripe s, size_t d, double z, int sign) { /* d C_b + z C_1 */
  double c1, cb;
  invman_stripe_integrals(s.interfaces, s.count, z, sign, &c1, &cb);
  return (double)d * cb + z * c1;
}

static double invman_i_pull_root(invman_i_stripe s, size_t d, double low, double high, int sign) {
  double at_low = invman_i_pull(s, d, low, sign);
  int k;
  for (k = 0; k < 200 && high - low > 1e-15; k++) {
    double middle = 0.5 * (low + high), at = invman_i_pull(s, d, middle, sign);
    if (at == 0) return middle;
    if ((at > 0) == (at_low > 0)) low = middle;
    else high = middle;
  }
  return 0.5 * (low + high);
}

/* Stable along e_1, where dzeta/dt = -(beta/(tau omega_1)) (d C_b + zeta C_1) and beta/omega_1 has the sign of C_1; and
   across it, where omega_perp grows at a rate of e^(-z^2/2)/sqrt(2 pi) against |C_1|, or falls [C.2]. */
static int invman_i_is_stable(invman_i_stripe s, double z, int sign, double c1, int rising) {
  double perp = invman_stripe_label(s.interfaces, s.count, z) * invman_i_density(z);
  return (c1 > 0) == rising && c1 != 0 && (sign * c1 * perp < 0 || fabs(c1) > fabs(perp));
}

invman_status invman_stripe_fixed_points(const double *interfaces, size_t count, size_t d, invman_fixed_point *out,
                                         size_t capacity, size_t *found) {
  invman_i_stripe s = invman_i_stripe_of(interfaces, count);
  const double step = 1.0 / 256;
  size_t k;
  int sign;
  if (!found || (capacity > 0 && !out) || d == 0 || s.count == 0) return INVMAN_E_ARG;
  if (s.count > SIZE_MAX / sizeof(double)) return INVMAN_E_SIZE;
  for (k = 0; k < s.count; k++) {
    if (!invman_i_isfinite(s.interfaces[k])) return INVMAN_E_NONFINITE;
    if (k > 0 && s.interfaces[k] <= s.interfaces[k - 1]) return INVMAN_E_ARG;
  }
  *found = 0;
  for (sign = 1; sign >= -1; sign -= 2) { /* beyond 8 there is next to no data */
    double z, left = invman_i_pull(s, d, -8, sign), right;
    for (z = -8; z < 8; z += step, left = right) {
      invman_fixed_point point;
      right = invman_i_pull(s, d, z + step, sign);
      if (left == 0 || (left > 0) == (right > 0)) continue;
      point.z = invman_i_pull_root(s, d, z, z + step, sign);
      point.sign = sign;
      invman_stripe_integrals(s.interfaces, s.count, point.z, sign, &point.c1, NULL);
      point.time = 1 / (fabs(point.c1) * sqrt(1 + point.z * point.z / (double)d));
      if (!invman_i_is_stable(s, point.z, sign, point.c1, right > 0)) continue;
      if (*found < capacity) out[*found] = point;
      ++*found;
    }
  }
  return INVMAN_OK;
}

/* ---- Eq. (5) and (7) */

typedef struct invman_i_neuron_ode {
  invman_i_stripe stripe;
  size_t d, perp;      /* dimension; uninformative components followed */
  const double *noise; /* (perp + 2): along omega_1, omega_perp.., b; or NULL */
  double *work;        /* (9, perp + 3): the state, seven slopes, a trial */
} invman_i_neuron_ode;

/* v = (omega_1, omega_perp.., b, beta); beta's rate is v.dv/beta: beta^2 - |omega|^2 - b^2 is conserved. */
static void invman_i_neuron_slope(const invman_i_neuron_ode *s, const double *v, double *slope) {
  size_t m = s->perp, i;
  double mean[3], perp = sqrt(invman_i_inner(v + 1, v + 1, m)), rate = 1 / sqrt(0.5 * (double)s->d);
  double b = v[m + 1], beta = v[m + 2], growth;
  invman_stripe_averages(s->stripe.interfaces, s->stripe.count, s->d, v[0], perp, b, mean);
  slope[0] = mean[0];
  for (i = 0; i < m; i++) slope[1 + i] = perp > 0 ? mean[1] * v[1 + i] / perp : 0;
  slope[m + 1] = mean[2];
  for (i = 0; i < m + 2; i++) slope[i] = rate * (slope[i] + (s->noise ? s->noise[i] : 0));
  slope[m + 1] *= sqrt((double)s->d);
  growth = invman_i_inner(v, slope, m + 2);
  for (i = 0; i < m + 2; i++) slope[i] *= beta;
  slope[m + 2] = growth;
}

enum { INVMAN_I_STAGES = 6 };

/* One step of Dormand and Prince's method of order 5; returns its error in units of the tolerance. The first slope is
   given, the last one is the next step's first. */
static double invman_i_neuron_step(const invman_i_neuron_ode *s, double dt) {
  static const double a[INVMAN_I_STAGES][INVMAN_I_STAGES] = {
      {1.0 / 5, 0, 0, 0, 0, 0},
      {3.0 / 40, 9.0 / 40, 0, 0, 0, 0},
      {44.0 / 45, -56.0 / 15, 32.0 / 9, 0, 0, 0},
      {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729, 0, 0},
      {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656, 0},
      {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}};
  static const double error[INVMAN_I_STAGES + 1] = {71.0 / 57600,      0,          -71.0 / 16695, 71.0 / 1920,
                                                    -17253.0 / 339200, 22.0 / 525, -1.0 / 40};
  size_t n = s->perp + 3, i, k, stage;
  double *v = s->work, *slope = v + n, *trial = slope + (INVMAN_I_STAGES + 1) * n, size = 0, worst = 0;
  for (stage = 0; stage < INVMAN_I_STAGES; stage++) {
    for (i = 0; i < n; i++) {
      trial[i] = v[i];
      for (k = 0; k <= stage; k++) trial[i] += dt * a[stage][k] * slope[k * n + i];
    }
    invman_i_neuron_slope(s, trial, slope + (stage + 1) * n);
  }
  for (i = 0; i < n; i++) size = fmax(size, fabs(trial[i]));
  for (i = 0; i < n; i++) {
    double sum = 0;
    for (k = 0; k <= INVMAN_I_STAGES; k++) sum += error[k] * slope[k * n + i];
    worst = invman_i_worst(worst, fabs(dt * sum) / (1e-10 * fmax(fabs(trial[i]), 1e-3 * size)));
  }
  return worst;
}

static invman_status invman_i_neuron_run(const invman_i_neuron_ode *s, const double *t, size_t times, double *states) {
  size_t n = s->perp + 3, k, steps = 0;
  double now = 0, dt = 1e-3;
  invman_i_neuron_slope(s, s->work, s->work + n);
  for (k = 0; k < times; k++) {
    while (now < t[k]) {
      double left = t[k] - now, span = dt < left ? dt : left, error;
      if (steps++ >= 1000000 || now + span <= now) return INVMAN_NOT_CONVERGED;
      error = invman_i_neuron_step(s, span);
      if (error <= 1) {
        now = span == left ? t[k] : now + span;
        memcpy(s->work, s->work + (INVMAN_I_STAGES + 2) * n, n * sizeof(double));
        memcpy(s->work + n, s->work + (INVMAN_I_STAGES + 1) * n, n * sizeof(double));
      }
      if (error > 1 || span == dt) dt = span * fmin(4, fmax(0.1, 0.9 * invman_i_power(fmax(error, 1e-10), -0.2)));
    }
    memcpy(states + k * n, s->work, n * sizeof(double));
  }
  return INVMAN_OK;
}

static invman_status invman_i_neuron_solve(const invman_context *ctx, invman_i_neuron_ode *s, const double *start,
                                           const double *t, size_t times, double *states) {
  invman_i_scope scope = invman_i_open(ctx);
  size_t n = invman_i_add(s->perp, 3), k;
  invman_status status;
  if (s->d == 0 || !start || (times > 0 && (!t || !states))) return invman_i_bad(ctx, "neuron_ode: d is 0, or NULL");
  if (s->stripe.count > SIZE_MAX / sizeof(double) || invman_i_mul(n, 9) > SIZE_MAX / sizeof(double) ||
      invman_i_mul(n, times) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "neuron_ode: sizes too large: their product overflows", "", 0);
  status = invman_i_check_finite(ctx, start, n, "neuron_ode: start is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, t, times, "neuron_ode: t is not finite");
  if (status == INVMAN_OK && s->noise)
    status = invman_i_check_finite(ctx, s->noise, s->perp + 2, "neuron_ode: noise is not finite");
  if (status < 0) return status;
  for (k = 0; k < times; k++)
    if (t[k] < (k > 0 ? t[k - 1] : 0))
      return invman_i_fail(ctx, INVMAN_E_ARG, "neuron_ode: t must be ascending, from 0", "element", k);
  s->work = invman_i_doubles(&scope, invman_i_mul(INVMAN_I_STAGES + 3, n));
  if (scope.status < 0) return invman_i_close(&scope);
  memcpy(s->work, start, n * sizeof *start);
  scope.status = invman_i_neuron_run(s, t, times, states);
  return invman_i_close(&scope);
}

invman_status invman_stripe_neuron_ode(const invman_context *ctx, const double *interfaces, size_t count, size_t d,
                                       const double start[4], const double *t, size_t times, double *states) {
  invman_i_neuron_ode s;
  memset(&s, 0, sizeof s);
  s.stripe = invman_i_stripe_of(interfaces, count);
  s.d = d;
  s.perp = 1;
  return invman_i_neuron_solve(ctx, &s, start, t, times, states);
}

invman_status invman_stripe_noisy_ode(const invman_context *ctx, const double *interfaces, size_t count, size_t d,
                                      const double *start, const double *noise, const double *t, size_t times,
                                      double *states) {
  invman_i_neuron_ode s;
  memset(&s, 0, sizeof s);
  s.stripe = invman_i_stripe_of(interfaces, count);
  s.d = d;
  s.perp = d > 0 ? d - 1 : 0;
  s.noise = noise;
  return invman_i_neuron_solve(ctx, &s, start, t, times, states);
}

void invman_stripe_noise(const invman_data *data, const double *interfaces, size_t count, double z, int sign,
                         double *noise) {
  size_t i, k, d = data ? data->d : 0;
  double c1, cb;
  if (!data || !data->x || !data->y || !noise) return;
  for (k = 0; k <= d; k++) noise[k] = 0;
  for (i = 0; i < data->n; i++) {
    const double *x = data->x + i * d;
    double share = data->y[i] / (double)data->n;
    if (!(sign < 0 ? x[0] < z : x[0] > z)) continue;
    for (k = 0; k < d; k++) noise[k] += share * x[k];
    noise[d] += share;
  }
  invman_stripe_integrals(interfaces, count, z, sign, &c1, &cb);
  noise[0] -= c1;
  noise[d] -= cb;
}

double invman_equiprobable_x_max(double x_min) { /* Phi(x_max) - Phi(x_min) = 1/2 */
  double q = invman_i_normal(x_min);
  return q < 0.5 ? invman_i_normal_quantile(q) : HUGE_VAL;
}
#endif /* INVMAN_NO_THEORY */

#ifndef INVMAN_NO_RFM
/* ===================================================================================================== >>rfm
   Kernels under a metric M = S'S: K_M(x,z) = K(u,v) of the images u = S x, v = S z, so that grad F in x is S' times
   that in u, and for each kernel of sum_mu a_mu (P(u,v_mu) v_mu + R(u,v_mu) u): a product of matrices, and the sum of
   a row. */

/* ---- kernels of the distance alone */

typedef struct invman_i_radial {
  const double *x, *z; /* the points of rows (n) and of columns (m) */
  size_t n, m, d;
  int kernel, what; /* SLOPE: P = -R */
  double bandwidth;
  double *K;
} invman_i_radial;

/* squares += those of the differences between a slice of R points x and the panel's. */
INVMAN_I_INLINE void invman_i_add_distances(const double *const *x, const invman_i_lanes *panel, size_t k,
                                            invman_i_lanes *squares, const int R, const int L) {
  const int J = INVMAN_I_TILE_LANES(L);
  size_t l;
  int i, j;
  for (l = 0; l < k; l++, panel += J) {
    INVMAN_I_UNROLL
    for (i = 0; i < R; i++) {
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) {
        invman_i_lanes apart;
#define INVMAN_I_OP(piece, V, M) apart.piece = x[i][l] - panel[j].piece;
        INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
        invman_i_add_product(&squares[i * J + j], &apart, &apart, L);
      }
    }
  }
}

static double invman_i_radial_value(const invman_i_radial *s, double square) {
  int laplace = s->kernel == INVMAN_RFM_LAPLACE;
  double r = sqrt(square), t = r / s->bandwidth, value = invman_i_exp(laplace ? -t : -0.5 * t * t);
  if (s->what == INVMAN_I_VALUE || !(r > 0)) return s->what == INVMAN_I_VALUE ? value : r; /* at 0 a kink, or nothing */
  return value / s->bandwidth / (laplace ? r : s->bandwidth);
}

/* As invman_i_infinite_block: so many rows with so many columns. */
INVMAN_I_INLINE void invman_i_radial_block_body(size_t task, void *arg, const int L) {
  const invman_i_radial *s = (const invman_i_radial *)arg;
  const size_t J = INVMAN_I_TILE_LANES(L), S = J * INVMAN_I_WIDTH, d = s->d;
  invman_i_lanes panel[INVMAN_I_INFINITE_SLICE * 3], squares[INVMAN_I_INFINITE_ROWS * 3];
  size_t across = (s->m + INVMAN_I_INFINITE_COLUMNS - 1) / INVMAN_I_INFINITE_COLUMNS;
  size_t top = task / across * INVMAN_I_INFINITE_ROWS, rows = invman_i_min(INVMAN_I_INFINITE_ROWS, s->n - top);
  size_t left = task % across * INVMAN_I_INFINITE_COLUMNS, from, k, i, c;
  size_t end = invman_i_min(left + INVMAN_I_INFINITE_COLUMNS, s->m);
  const double *value = squares->d;
  for (; left < end; left += S) {
    size_t count = invman_i_min(S, end - left);
    memset(squares, 0, rows * J * sizeof *squares);
    for (from = 0; from < d; from += k) {
      k = invman_i_min(d - from, INVMAN_I_INFINITE_SLICE);
      invman_i_turn_points(s->z + left * d, d, count, from, k, panel, L);
      for (i = 0; i < rows; i++) {
        const double *x = s->x + (top + i) * d + from;
        invman_i_add_distances(&x, panel, k, squares + i * J, 1, L);
      }
    }
    for (i = 0; i < rows; i++)
      for (c = 0; c < count; c++) s->K[(top + i) * s->m + left + c] = invman_i_radial_value(s, value[i * S + c]);
  }
}
INVMAN_I_KERNEL(invman_i_radial_block)

/* ---- a kernel, its metric, and the images of its training points */

typedef struct invman_i_learned {
  const invman_context *ctx;
  const invman_data *train;
  int kernel;
  size_t layers;
  double bandwidth;
  double *S, *spare, *lambda; /* (d,d), (d,d) and (d) */
  double *images;             /* (n,d) */
  double *points, *values[2]; /* (rows,d) and (rows,n), of a block of rows; the second of them also (rows,d) */
  invman_i_gemm room;
} invman_i_learned;

enum { INVMAN_I_LEARNED_ROWS = 384, INVMAN_I_LEARNED_WHOLE = 16384, INVMAN_I_LEARNED_SAMPLE = 512 };

static invman_status invman_i_check_learned(const invman_context *ctx, const invman_data *train,
                                            const invman_rfm_options *o) {
  if (!train || !train->x || train->n == 0 || train->d == 0) return invman_i_bad(ctx, "rfm: no training points");
  if (invman_i_mul(invman_i_max(train->n, train->d), invman_i_mul(train->d, sizeof(double))) == SIZE_MAX)
    return invman_i_fail(ctx, INVMAN_E_SIZE, "rfm: sizes too large: their product overflows", "", 0);
  if (o->kernel < INVMAN_RFM_NTK || o->kernel > INVMAN_RFM_GAUSS) return invman_i_bad(ctx, "rfm: unknown kernel");
  if (!(o->bandwidth >= 0 && o->bandwidth <= DBL_MAX))
    return invman_i_bad(ctx, "rfm: the bandwidth is negative or not finite");
  if (o->d_par > train->d) return invman_i_bad(ctx, "rfm: d_par exceeds d");
  return INVMAN_OK;
}

/* The median distance of a sample's points. */
static double invman_i_learned_bandwidth(invman_i_scope *scope, const invman_data *train) {
  size_t n = invman_i_min(train->n, INVMAN_I_LEARNED_SAMPLE), d = train->d, i, j, k, count = 0;
  double *distance = invman_i_doubles(scope, n * n / 2 + 1), median = 0;
  if (!distance) return 0;
  for (i = 1; i < n; i++) {
    const double *x = train->x + (size_t)((double)i / (double)n * (double)train->n) * d;
    for (j = 0; j < i; j++) {
      const double *z = train->x + (size_t)((double)j / (double)n * (double)train->n) * d;
      double square = 0;
      for (k = 0; k < d; k++) square += (x[k] - z[k]) * (x[k] - z[k]);
      distance[count++] = sqrt(square);
    }
  }
  if (count > 0) median = invman_i_median(distance, count);
  invman_i_give(scope, distance);
  if (!(median > 0 && median <= DBL_MAX))
    scope->status = invman_i_bad(scope->ctx, "rfm: the median distance is 0 or too large to be a bandwidth");
  return median;
}

static invman_status invman_i_learned_start(invman_i_learned *s, invman_i_scope *scope, const invman_data *train,
                                            const invman_rfm_options *o) {
  size_t n = train ? train->n : 0, d = train ? train->d : 0, rows = INVMAN_I_LEARNED_ROWS;
  invman_status status = invman_i_check_learned(scope->ctx, train, o);
  if (status == INVMAN_OK) status = invman_i_check_finite(scope->ctx, train->x, n * d, "data: x is not finite");
  if (scope->status == INVMAN_OK) scope->status = status;
  if (scope->status < 0) return scope->status;
  s->ctx = scope->ctx;
  s->train = train;
  s->kernel = o->kernel;
  s->layers = o->layers > 0 ? o->layers : 1;
  s->S = invman_i_doubles(scope, invman_i_mul(d, d));
  s->spare = invman_i_doubles(scope, invman_i_mul(d, d));
  s->lambda = invman_i_doubles(scope, d);
  s->images = invman_i_doubles(scope, n * d);
  s->points = invman_i_doubles(scope, invman_i_mul(rows, d));
  s->values[0] = invman_i_doubles(scope, invman_i_mul(rows, n));
  s->values[1] = invman_i_doubles(scope, invman_i_mul(rows, invman_i_max(n, d)));
  s->room = invman_i_gemm_reserve(scope, invman_i_max(invman_i_max(n, d), rows), d);
  if (scope->status < 0) return scope->status;
  s->bandwidth = o->bandwidth;
  if (s->kernel != INVMAN_RFM_NTK && s->bandwidth == 0) s->bandwidth = invman_i_learned_bandwidth(scope, train);
  return scope->status;
}

/* u = S x */
static void invman_i_learned_images(const invman_i_learned *s, const double *x, size_t n, double *u) {
  size_t d = s->train->d;
  memset(u, 0, n * d * sizeof *u);
  invman_i_product_add(s->ctx, &s->room, 1, invman_i_plain(x, n, d, d),
                       invman_i_transposed(invman_i_plain(s->S, d, d, d)), u, d, 0);
}

/* S and the images, of M: symmetric, and no eigenvalue below 0 but for rounding. */
static invman_status invman_i_learned_metric(invman_i_learned *s, const double *M) {
  size_t d = s->train->d, i, j;
  double most = invman_i_largest(M, d * d), least = 0;
  int diagonal = 1;
  invman_status status = invman_i_check_finite(s->ctx, M, d * d, "rfm: M is not finite");
  if (status < 0) return status;
  for (i = 0; i < d; i++)
    for (j = 0; j < d; j++) {
      diagonal &= i == j || M[i * d + j] == 0;
      if (!(fabs(M[i * d + j] - M[j * d + i]) <= 1e-12 * most))
        return invman_i_fail(s->ctx, INVMAN_E_ARG, "rfm: M is not symmetric", "element", i * d + j);
    }
  memset(s->spare, 0, d * d * sizeof *M);
  for (i = 0; i < d; i++) {
    s->lambda[i] = M[i * d + i];
    s->spare[i * d + i] = 1;
  }
  if (!diagonal) {
    memcpy(s->spare, M, d * d * sizeof *M);
    status = invman_eigh(s->ctx, d, s->spare, s->lambda);
    if (status < 0) return status;
  }
  for (i = 0; i < d; i++) {
    double root = sqrt(fmax(s->lambda[i], 0));
    least = fmin(least, s->lambda[i]);
    for (j = 0; j < d; j++) s->S[i * d + j] = root * s->spare[i * d + j];
  }
  if (least < -1e-10 * most) return invman_i_bad(s->ctx, "rfm: M has a negative eigenvalue");
  invman_i_learned_images(s, s->train->x, s->train->n, s->images);
  return INVMAN_OK;
}

/* The kernel of the images u (n,d) with those of the training points, or a slope. */
static void invman_i_learned_gram(const invman_i_learned *s, int what, const double *u, size_t n, double *K) {
  size_t m = s->train->n, d = s->train->d, blocks;
  invman_i_radial r;
  if (s->kernel == INVMAN_RFM_NTK) {
    invman_i_infinite_gram(s->ctx, d, s->layers, INVMAN_NTK_ALL, what, u, n,
                           u == s->images && n == m && what == INVMAN_I_VALUE ? NULL : s->images, m, K);
    return;
  }
  r.x = u;
  r.z = s->images;
  r.n = n;
  r.m = m;
  r.d = d;
  r.kernel = s->kernel;
  r.what = what;
  r.bandwidth = s->bandwidth;
  r.K = K;
  blocks = ((n - 1) / INVMAN_I_INFINITE_ROWS + 1) * ((m - 1) / INVMAN_I_INFINITE_COLUMNS + 1);
  invman_i_parallel(s->ctx, blocks, invman_i_radial_block(s->ctx), &r, (double)n * (double)m * (double)(d + 30));
}

static void invman_i_learned_column(size_t j, double *column, void *arg) {
  const invman_i_learned *s = (const invman_i_learned *)arg;
  invman_i_learned_gram(s, INVMAN_I_VALUE, s->images + j * s->train->d, 1, column);
}

static void invman_i_learned_predict(const invman_i_learned *s, const double *a, const double *x, size_t n, double *F) {
  size_t m = s->train->n, i, k, count;
  for (i = 0; i < n; i += count) {
    count = invman_i_min(INVMAN_I_LEARNED_ROWS, n - i);
    invman_i_learned_images(s, x + i * s->train->d, count, s->points);
    invman_i_learned_gram(s, INVMAN_I_VALUE, s->points, count, s->values[0]);
    for (k = 0; k < count; k++) F[i + k] = invman_i_inner(s->values[0] + k * m, a, m);
  }
}

/* agop = the sum over the points of grad F grad F', in the unit 2^(2 exponent), which is that of a: so that squares of
   it do not overflow. weighted: scratch of (n, d + 1). */
static int invman_i_learned_agop(const invman_i_learned *s, const double *a, int diagonal, double *weighted,
                                 double *agop) {
  size_t n = s->train->n, d = s->train->d, i, j, k, count;
  double *weight = weighted + n * d, *G = s->points;
  int exponent = 0, radial = s->kernel != INVMAN_RFM_NTK;
  (void)frexp(invman_i_largest(a, n), &exponent);
  for (i = 0; i < n; i++) {
    weight[i] = ldexp(a[i], -exponent) / (radial ? 1 : (double)d);
    for (k = 0; k < d; k++) weighted[i * d + k] = weight[i] * s->images[i * d + k];
  }
  memset(agop, 0, d * d * sizeof *agop);
  for (i = 0; i < n; i += count) {
    const double *u = s->images + i * d;
    count = invman_i_min(INVMAN_I_LEARNED_ROWS, n - i);
    invman_i_learned_gram(s, INVMAN_I_SLOPE, u, count, s->values[0]);
    if (!radial) invman_i_learned_gram(s, INVMAN_I_SLOPE_NORM, u, count, s->values[1]);
    memset(G, 0, count * d * sizeof *G);
    invman_i_product_add(s->ctx, &s->room, 1, invman_i_plain(s->values[0], count, n, n),
                         invman_i_plain(weighted, n, d, d), G, d, 0);
    for (j = 0; j < count; j++) {
      double own =
          radial ? -invman_i_inner(s->values[0] + j * n, weight, n) : invman_i_inner(s->values[1] + j * n, weight, n);
      for (k = 0; k < d; k++) G[j * d + k] += own * u[j * d + k];
    }
    memset(s->values[1], 0, count * d * sizeof *G);
    invman_i_product_add(s->ctx, &s->room, 1, invman_i_plain(G, count, d, d), invman_i_plain(s->S, d, d, d),
                         s->values[1], d, 0);
    invman_i_product_add(s->ctx, &s->room, 1, invman_i_transposed(invman_i_plain(s->values[1], count, d, d)),
                         invman_i_plain(s->values[1], count, d, d), agop, d, 1);
  }
  for (i = 0; i < d; i++)
    for (j = 0; j < i; j++) agop[i * d + j] = agop[j * d + i] = diagonal ? 0 : agop[j * d + i];
  return exponent;
}

invman_status invman_rfm_predict(const invman_context *ctx, const invman_data *train, const invman_rfm_options *options,
                                 const double *M, const double *a, const double *x, size_t n, double *F) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_rfm_options o;
  invman_i_learned s;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  memset(&s, 0, sizeof s);
  if (!M || !a || !x || !F) return invman_i_bad(ctx, "rfm_predict: M, a, x or F is NULL");
  if (invman_i_learned_start(&s, &scope, train, &o) < 0) return invman_i_close(&scope);
  if (invman_i_mul(n, invman_i_mul(train->d, sizeof(double))) == SIZE_MAX)
    scope.status = invman_i_fail(ctx, INVMAN_E_SIZE, "rfm: sizes too large: their product overflows", "", 0);
  if (scope.status == INVMAN_OK) scope.status = invman_i_learned_metric(&s, M);
  if (scope.status == INVMAN_OK) scope.status = invman_i_check_finite(ctx, a, train->n, "rfm_predict: a is not finite");
  if (scope.status == INVMAN_OK)
    scope.status = invman_i_check_finite(ctx, x, n * train->d, "rfm_predict: x is not finite");
  if (scope.status == INVMAN_OK) {
    invman_i_learned_predict(&s, a, x, n, F);
    scope.status = invman_i_check_result(ctx, F, n, "rfm_predict: F is not finite");
  }
  return invman_i_close(&scope);
}

invman_status invman_kernel_agop(const invman_context *ctx, const invman_data *train, const invman_rfm_options *options,
                                 const double *M, const double *a, double *agop) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_rfm_options o;
  invman_i_learned s;
  double *weighted;
  size_t i;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  memset(&s, 0, sizeof s);
  if (!M || !a || !agop) return invman_i_bad(ctx, "kernel_agop: M, a or agop is NULL");
  if (invman_i_learned_start(&s, &scope, train, &o) < 0) return invman_i_close(&scope);
  weighted = invman_i_doubles(&scope, invman_i_mul(train->n, train->d + 1));
  if (scope.status == INVMAN_OK) scope.status = invman_i_learned_metric(&s, M);
  if (scope.status == INVMAN_OK) scope.status = invman_i_check_finite(ctx, a, train->n, "kernel_agop: a is not finite");
  if (scope.status == INVMAN_OK) {
    int exponent = invman_i_learned_agop(&s, a, o.diagonal, weighted, agop);
    for (i = 0; i < train->d * train->d; i++) agop[i] = ldexp(agop[i] / (double)train->n, 2 * exponent);
    scope.status = invman_i_check_result(ctx, agop, train->d * train->d, "kernel_agop: the result is not finite");
  }
  return invman_i_close(&scope);
}

/* ---- fit, look, update */

static double invman_i_metric_lambda(const double *M, size_t d, size_t d_par) {
  double par = 0, perp = 0;
  size_t i;
  if (d_par >= d) return 0;
  for (i = 0; i < d_par; i++) par += M[i * d + i];
  for (; i < d; i++) perp += M[i * d + i];
  if (!(perp > 0)) return HUGE_VAL;
  return sqrt((double)(d - d_par) / (double)d_par * (par / perp));
}

static double invman_i_share_wrong(const double *y, const double *F, size_t n) {
  size_t i, wrong = 0;
  for (i = 0; i < n; i++) wrong += !(y[i] * F[i] > 0);
  return (double)wrong / (double)n;
}

/* A fit under M, and what it is worth. K NULL: by columns; F: scratch, as long as either set of points. */
static invman_status invman_i_rfm_fit(invman_i_learned *s, const invman_rfm_options *o, const double *M, double *K,
                                      double *F, double *a, invman_rfm_info *info) {
  size_t n = s->train->n, i;
  invman_lazy_options lazy;
  invman_status status = invman_i_learned_metric(s, M);
  if (status < 0) return status;
  memset(&lazy, 0, sizeof lazy);
  lazy.margin = F;
  if (K) {
    invman_i_learned_gram(s, INVMAN_I_VALUE, s->images, n, K);
    status = invman_lazy_train(s->ctx, K, s->train->y, n, &lazy, a, &info->flow);
  } else {
    status = invman_lazy_train_columns(s->ctx, invman_i_learned_column, s, s->train->y, n, &lazy, a, &info->flow);
  }
  if (status < 0) return status;
  for (i = 0; i < n; i++) F[i] *= s->train->y[i];
  info->train_error = invman_i_share_wrong(s->train->y, F, n);
  if (o->test) {
    invman_i_learned_predict(s, a, o->test->x, o->test->n, F);
    info->test_error = invman_i_share_wrong(o->test->y, F, o->test->n);
  }
  info->lambda = invman_i_metric_lambda(M, s->train->d, o->d_par > 0 ? o->d_par : 1);
  return status;
}

/* M <- agop d/trace; returns whether that changes anything. */
static int invman_i_rfm_update(double *M, double *agop, size_t d) {
  double trace = 0, most = invman_i_largest(agop, d * d), change = 0;
  size_t i;
  if (!(most > 0)) return 0;
  for (i = 0; i < d; i++) trace += agop[i * d + i] / most;
  for (i = 0; i < d * d; i++) {
    agop[i] = agop[i] / most * ((double)d / trace);
    change = fmax(change, fabs(agop[i] - M[i]));
  }
  if (change <= 1e-9 * invman_i_largest(M, d * d)) return 0;
  memcpy(M, agop, d * d * sizeof *M);
  return 1;
}

static invman_status invman_i_rfm_rounds(invman_i_learned *s, const invman_rfm_options *o, double *K, double *scratch,
                                         double *agop, double *M, double *a, invman_rfm_info *info) {
  size_t d = s->train->d, rounds = o->rounds > 0 ? o->rounds : 3, i;
  memset(M, 0, d * d * sizeof *M);
  for (i = 0; i < d; i++) M[i * d + i] = 1;
  for (info->round = 0;; info->round++) {
    invman_status status = info->status = invman_i_rfm_fit(s, o, M, K, scratch, a, info);
    if (status < 0) return status;
    if (o->report && o->report(info, M, o->user)) return info->status = INVMAN_STOPPED;
    if (status == INVMAN_STOPPED || info->round == rounds) return status;
    (void)invman_i_learned_agop(s, a, o->diagonal, scratch, agop);
    status = invman_i_check_finite(s->ctx, agop, d * d, "rfm: the gradients' squares are not finite");
    if (status < 0) return status;
    if (!invman_i_rfm_update(M, agop, d)) return info->status;
  }
}

static invman_status invman_i_rfm_run(const invman_context *ctx, const invman_data *train, const invman_rfm_options *o,
                                      size_t whole, double *M, double *a, invman_rfm_info *info) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_learned s;
  double *K = NULL, *scratch, *agop;
  size_t n = train->n, d = train->d;
  memset(&s, 0, sizeof s);
  if (invman_i_learned_start(&s, &scope, train, o) < 0) return invman_i_close(&scope);
  if (n <= whole) K = invman_i_doubles(&scope, n * n);
  scratch = invman_i_doubles(&scope, invman_i_max(invman_i_mul(n, d + 1), o->test ? o->test->n : 0));
  agop = invman_i_doubles(&scope, d * d);
  if (scope.status < 0) return invman_i_close(&scope);
  scope.status = invman_i_rfm_rounds(&s, o, K, scratch, agop, M, a, info);
  if (scope.status < 0) {
    memset(M, 0, d * d * sizeof *M);
    memset(a, 0, n * sizeof *a);
  }
  return invman_i_close(&scope);
}

invman_status invman_rfm_train(const invman_context *ctx, const invman_data *train, const invman_rfm_options *options,
                               double *M, double *a, invman_rfm_info *info) {
  invman_rfm_options o;
  invman_rfm_info own;
  invman_status status;
  if (info) memset(info, 0, sizeof *info);
  memset(&own, 0, sizeof own);
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  own.test_error = -1;
  if (!M || !a) return invman_i_bad(ctx, "rfm_train: M or a is NULL");
  status = invman_i_check_learned(ctx, train, &o);
  if (status == INVMAN_OK) status = invman_i_check_data(ctx, train);
  if (status == INVMAN_OK && o.test) status = invman_i_check_data(ctx, o.test);
  if (status < 0) return status;
  if (o.test && o.test->d != train->d) return invman_i_bad(ctx, "rfm_train: the test set has another d");
  status = invman_i_rfm_run(ctx, train, &o, INVMAN_I_LEARNED_WHOLE, M, a, &own);
  if (info && status >= 0) *info = own;
  return status;
}

#endif /* INVMAN_NO_RFM */

#ifndef INVMAN_NO_DIAGNOSTICS
/* ========================================================================================== >>diagnostics
   Measures of spectra, kernels, subspaces, representations and mixing matrices, in the order of their declarations. */

/* x (n,m) is there and finite; one message for each of an argument's faults. */
static invman_status invman_i_check_matrix(const invman_context *ctx, const double *x, size_t n, size_t m,
                                           const char *what) {
  if (n == 0 || m == 0) return invman_i_bad(ctx, what);
  if (invman_i_mul(n, m) > SIZE_MAX / sizeof(double)) return invman_i_fail(ctx, INVMAN_E_SIZE, what, "", 0);
  return x ? invman_i_check_finite(ctx, x, n * m, what) : invman_i_bad(ctx, what);
}

/* A (d,d) can exist. Asked before anything of length d is read. */
static invman_status invman_i_check_square(const invman_context *ctx, size_t d, const char *what) {
  return invman_i_mul(d, d) > SIZE_MAX / sizeof(double) ? invman_i_fail(ctx, INVMAN_E_SIZE, what, "", 0) : INVMAN_OK;
}

static void invman_i_empty(double *out, size_t n) { /* an output, of a call that fails late */
  if (out) memset(out, 0, n * sizeof *out);
}

/* The exponent of the power of two above the largest |x|, limited to 1000 in size: its reciprocal is never flushed to
   zero */
static int invman_i_exponent(const double *x, size_t n) {
  int exponent = 0;
  (void)frexp(invman_i_largest(x, n), &exponent);
  return exponent > 1000 ? 1000 : exponent > -1000 ? exponent : -1000;
}

/* A power of two that brings the largest |x| to about 1: squares and sums of what is scaled do not overflow. */
static double invman_i_unit(const double *x, size_t n) { return ldexp(1, -invman_i_exponent(x, n)); }

/* The exponent where squares of x may be beyond all numbers, else 0: ordinary x need not be scaled. */
static int invman_i_far_exponent(const double *x, size_t n) {
  int exponent = invman_i_exponent(x, n);
  return exponent > 300 || exponent < -300 ? exponent : 0;
}

/* x, or a copy in the unit 2^exponent */
static const double *invman_i_in_unit(invman_i_scope *scope, const double *x, size_t n, int exponent) {
  double *copy = exponent != 0 ? invman_i_doubles(scope, n) : NULL;
  size_t i;
  for (i = 0; copy && i < n; i++) copy[i] = ldexp(x[i], -exponent);
  return copy ? copy : x;
}

static double invman_i_inner_scaled(const double *a, const double *b, size_t n, double unit_a, double unit_b) {
  double sum = 0;
  size_t i;
  for (i = 0; i < n; i++) sum += (unit_a * a[i]) * (unit_b * b[i]);
  return sum;
}

static double invman_i_clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/* A part of 1 by eigenvectors that are orthonormal to 1e-13 n: what they lack may not push it above 1. */
static double invman_i_part_of_one(double part, size_t n) {
  return part > 1 && part <= 1 + 1e-13 * (double)n ? 1 : part;
}

/* ---- means and differences that keep what a double would round away */

/* x - a - b, rounded once where they cancel */
static double invman_i_less(double x, invman_i_wide a, invman_i_wide b) {
  invman_i_wide first = invman_i_two_sum(x, -a.high), both = invman_i_two_sum(first.high, -b.high);
  return both.high + (((first.low + both.low) - a.low) - b.low);
}

/* Of equal x exactly theirs, and right to the rounding of their differences whatever they have in common: the mean of
   what they exceed the first one by, and then of what they exceed that by. */
static invman_i_wide invman_i_mean(const double *x, size_t n) {
  const invman_i_wide none = {0, 0};
  invman_i_wide mean = {0, 0};
  size_t i, round;
  mean.high = x[0];
  for (round = 0; round < 2; round++) {
    invman_i_wide sum = {0, 0};
    for (i = 0; i < n; i++) sum = invman_i_wide_plus(sum, invman_i_less(x[i], mean, none));
    mean = invman_i_wide_plus(mean, sum.high / (double)n);
  }
  return mean;
}

/* ---- spectrum */

static double invman_i_spectral_tol(double tol, size_t n) { return tol > 0 ? tol : (double)n * DBL_EPSILON; }

static double invman_i_greatest(const double *x, size_t n) {
  double largest = x[0];
  size_t i;
  for (i = 1; i < n; i++) largest = fmax(largest, x[i]);
  return largest;
}

/* -sum p ln p, p = weight/sum, of weights >= 0; at most ln n */
static double invman_i_entropy(const double *weight, size_t n) {
  double unit = invman_i_unit(weight, n), sum = 0, entropy = 0;
  size_t i;
  for (i = 0; i < n; i++) sum += unit * weight[i];
  for (i = 0; i < n; i++) {
    double p = unit * weight[i] / sum;
    if (p > 0) entropy -= p * invman_i_log(p);
  }
  return invman_i_clamp(entropy, 0, invman_i_log((double)n));
}

invman_status invman_spectral_measures(const invman_context *ctx, const double *lambda, size_t n, int singular,
                                       double tol, invman_spectrum *out) {
  invman_i_scope scope = invman_i_open(ctx);
  double *weight, sum = 0, squares = 0, largest, unit, least, most = (double)n;
  invman_status status =
      invman_i_check_matrix(ctx, lambda, n, 1, "spectral_measures: lambda is NULL, empty or not finite");
  size_t i;
  if (status < 0) return status;
  if (!out || !(tol >= 0 && tol < 1)) return invman_i_bad(ctx, "spectral_measures: out is NULL, or tol not in [0,1)");
  weight = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);
  memset(out, 0, sizeof *out);
  largest = fmax(0, invman_i_greatest(lambda, n));
  unit = invman_i_unit(&largest, 1); /* negative ones count as 0, however large */
  least = invman_i_spectral_tol(tol, n) * (unit * largest);
  for (i = 0; i < n; i++) {
    double value = lambda[i] > 0 ? unit * lambda[i] : 0;
    sum += value;
    squares += value * value;
    weight[i] = singular ? sqrt(value) : value;
    out->rank += lambda[i] > 0 && value > least;
  }
  if (sum > 0) {
    out->sum = sum / unit;
    out->entropy = invman_i_entropy(weight, n);
    out->effective_rank = invman_i_clamp(invman_i_exp(out->entropy), 1, most);
    out->participation_ratio = invman_i_clamp(sum / squares * sum, 1, most);
    out->stable_rank = invman_i_clamp(sum / (unit * largest), 1, most);
    out->anisotropy = invman_i_clamp(unit * largest / sum, 1 / most, 1);
    scope.status = invman_i_check_result(ctx, &out->sum, 1, "spectral_measures: the sum is not finite");
    if (scope.status < 0) memset(out, 0, sizeof *out);
  }
  return invman_i_close(&scope);
}

invman_status invman_von_neumann_entropy(const invman_context *ctx, const double *K, size_t n, double *entropy) {
  invman_i_scope scope = invman_i_open(ctx);
  double *rho, *lambda;
  invman_status status = invman_i_check_matrix(ctx, K, n, n, "von_neumann_entropy: K is NULL, empty or not finite");
  size_t i, j;
  if (status < 0) return status;
  if (!entropy) return invman_i_bad(ctx, "von_neumann_entropy: entropy is NULL");
  for (i = 0; i < n; i++)
    if (!(K[i * n + i] > 0))
      return invman_i_fail(ctx, INVMAN_E_ARG, "von_neumann_entropy: K's diagonal is not positive", "element",
                           i * n + i);
  rho = invman_i_doubles(&scope, invman_i_mul(n, n));
  lambda = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) rho[i * n + j] = K[i * n + j] / sqrt(K[i * n + i]) / sqrt(K[j * n + j]) / (double)n;
  scope.status = invman_eigvalsh(ctx, n, rho, lambda);
  for (i = 0; i < n; i++) lambda[i] = lambda[i] > 0 ? lambda[i] : 0;
  if (scope.status >= 0) *entropy = invman_i_entropy(lambda, n);
  return invman_i_close(&scope);
}

double invman_unexplained_area(const double *lambda, size_t n, size_t last) {
  double sum = 0;
  size_t j;
  for (j = 0; lambda && j < n; j++) sum += (lambda[j] > 0 ? lambda[j] : 0) * ((double)invman_i_min(j, last) + 1);
  return sum;
}

/* ---- kernel and labels */

invman_status invman_ridge_leverage(const invman_context *ctx, const double *lambda, const double *U, size_t n,
                                    double gamma, double *tau, double *d_eff) {
  invman_status status = INVMAN_OK;
  double sum = 0;
  size_t i, k;
  if (U || tau) status = invman_i_check_matrix(ctx, U, n, n, "ridge_leverage: U is NULL, empty or not finite");
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, lambda, n, 1, "ridge_leverage: lambda is NULL, empty or not finite");
  if (status < 0) return status;
  if (!(gamma > 0 && gamma <= DBL_MAX)) return invman_i_bad(ctx, "ridge_leverage: gamma must be positive and finite");
  if (tau) memset(tau, 0, n * sizeof *tau);
  for (k = 0; k < n; k++) {
    double share = lambda[k] > 0 ? 1 / (1 + gamma / lambda[k]) : 0;
    sum += share;
    for (i = 0; tau && i < n; i++) tau[i] += share * U[k * n + i] * U[k * n + i];
  }
  for (i = 0; tau && i < n; i++) tau[i] = invman_i_part_of_one(tau[i], n);
  if (d_eff) *d_eff = sum;
  return tau ? invman_i_check_result(ctx, tau, n, "ridge_leverage: tau is not finite") : INVMAN_OK;
}

invman_status invman_target_alignment(const invman_context *ctx, const double *K, const double *y, size_t n,
                                      double *alignment) {
  invman_status status = invman_i_check_matrix(ctx, K, n, n, "target_alignment: K is NULL, empty or not finite");
  double unit, unit_y, norm, power, sum = 0;
  size_t i;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, y, n, 1, "target_alignment: y is NULL or not finite");
  if (status < 0) return status;
  if (!alignment) return invman_i_bad(ctx, "target_alignment: alignment is NULL");
  unit = invman_i_unit(K, n * n);
  unit_y = invman_i_unit(y, n);
  norm = sqrt(invman_i_inner_scaled(K, K, n * n, unit, unit));
  power = invman_i_inner_scaled(y, y, n, unit_y, unit_y);
  if (!(norm > 0 && power > 0)) return invman_i_bad(ctx, "target_alignment: K or y is 0");
  for (i = 0; i < n; i++) sum += unit_y * y[i] * invman_i_inner_scaled(K + i * n, y, n, unit, unit_y);
  *alignment = invman_i_clamp(sum / power / norm, -1, 1);
  return INVMAN_OK;
}

invman_status invman_cumulative_power(const invman_context *ctx, const double *U, const double *y, size_t n,
                                      double *power) {
  invman_status status = invman_i_check_matrix(ctx, U, n, n, "cumulative_power: U is NULL, empty or not finite");
  double unit, all, sum = 0;
  size_t k;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, y, n, 1, "cumulative_power: y is NULL or not finite");
  if (status < 0) return status;
  if (!power) return invman_i_bad(ctx, "cumulative_power: power is NULL");
  unit = invman_i_unit(y, n);
  all = invman_i_inner_scaled(y, y, n, unit, unit);
  if (!(all > 0)) return invman_i_bad(ctx, "cumulative_power: y is 0");
  for (k = 0; k < n; k++) {
    double share = invman_i_inner_scaled(U + k * n, y, n, 1, unit);
    sum += share * share;
    power[k] = invman_i_part_of_one(sum / all, n);
  }
  return invman_i_check_result(ctx, power, n, "cumulative_power: the power is not finite");
}

static invman_status invman_i_check_eigenpairs(const invman_context *ctx, const double *lambda, const double *U,
                                               size_t n) {
  invman_status status = invman_i_check_matrix(ctx, U, n, n, "eigenvectors: U is NULL, empty or not finite");
  return status < 0 ? status : invman_i_check_matrix(ctx, lambda, n, 1, "eigenvalues: lambda is NULL or not finite");
}

invman_status invman_rkhs_norm(const invman_context *ctx, const double *lambda, const double *U, const double *y,
                               size_t n, double tol, double *norm2, size_t *used) {
  invman_status status = invman_i_check_eigenpairs(ctx, lambda, U, n);
  double sum = 0, largest, least, unit, unit_y;
  int exponent, exponent_y;
  size_t k, count = 0;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, y, n, 1, "rkhs_norm: y is NULL or not finite");
  if (status < 0) return status;
  if (!(tol >= 0 && tol < 1)) return invman_i_bad(ctx, "rkhs_norm: tol must be in [0,1)");
  largest = fmax(0, invman_i_greatest(lambda, n));
  exponent = invman_i_exponent(&largest, 1);
  exponent_y = invman_i_exponent(y, n);
  unit = ldexp(1, -exponent);
  unit_y = ldexp(1, -exponent_y);
  least = invman_i_spectral_tol(tol, n) * (unit * largest);
  for (k = 0; k < n; k++) {
    double share = invman_i_inner_scaled(U + k * n, y, n, 1, unit_y);
    if (!(lambda[k] > 0 && unit * lambda[k] > least)) continue;
    sum += share * (share / (unit * lambda[k]));
    count++;
  }
  sum = ldexp(sum, 2 * exponent_y - exponent);
  status = invman_i_check_result(ctx, &sum, 1, "rkhs_norm: the norm is not finite");
  if (used) *used = status < 0 ? 0 : count;
  if (norm2) *norm2 = sum;
  return status;
}

invman_status invman_spectral_predictor(const invman_context *ctx, const double *lambda, const double *U,
                                        const double *y, size_t n, size_t r, double gamma, const double *C, size_t m,
                                        double *f) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_eigenpairs(ctx, lambda, U, n);
  double *a, largest, least, unit, unit_y, unit_C;
  int exponent, exponent_y, exponent_C;
  size_t i, k;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, y, n, 1, "spectral_predictor: y is NULL or not finite");
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, C, m, n, "spectral_predictor: C is NULL, empty or not finite");
  if (status < 0) return status;
  if (r > n || !f || !(gamma >= 0 && gamma <= DBL_MAX))
    return invman_i_bad(ctx, "spectral_predictor: r exceeds n, gamma is negative or not finite, or f is NULL");
  a = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);
  largest = fmax(gamma, invman_i_greatest(lambda, n));
  exponent = invman_i_exponent(&largest, 1);
  exponent_y = invman_i_exponent(y, n);
  exponent_C = invman_i_exponent(C, m * n);
  unit = ldexp(1, -exponent);
  unit_y = ldexp(1, -exponent_y);
  unit_C = ldexp(1, -exponent_C);
  least = gamma > 0 ? -1 : (double)n * DBL_EPSILON * (unit * fmax(0, largest));
  for (k = 0; k < r; k++) {
    double value = lambda[k] > 0 ? unit * lambda[k] : 0, factor;
    if (value <= least) continue;
    factor = invman_i_inner_scaled(U + k * n, y, n, 1, unit_y) / (value + unit * gamma);
    for (i = 0; i < n; i++) a[i] += factor * U[k * n + i];
  }
  for (i = 0; i < m; i++)
    f[i] = ldexp(invman_i_inner_scaled(C + i * n, a, n, unit_C, 1), exponent_y + exponent_C - exponent);
  scope.status = invman_i_check_result(ctx, f, m, "spectral_predictor: f is not finite");
  return invman_i_close(&scope);
}

invman_status invman_nystrom_extension(const invman_context *ctx, const double *lambda, const double *U, size_t n,
                                       size_t r, const double *C, size_t m, double *phi) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_gemm room;
  invman_status status = invman_i_check_eigenpairs(ctx, lambda, U, n);
  double largest, least, unit;
  int exponent, exponent_C;
  size_t i, k;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, C, m, n, "nystrom_extension: C is NULL, empty or not finite");
  if (status < 0) return status;
  if (r > n || !phi) return invman_i_bad(ctx, "nystrom_extension: r exceeds n, or phi is NULL");
  if (r == 0) return INVMAN_OK;
  room = invman_i_gemm_reserve(&scope, m, r);
  if (scope.status < 0) return invman_i_close(&scope);
  largest = fmax(0, invman_i_greatest(lambda, n));
  exponent = invman_i_exponent(&largest, 1);
  exponent_C = invman_i_far_exponent(C, m * n);
  C = invman_i_in_unit(&scope, C, m * n, exponent_C);
  if (scope.status < 0) return invman_i_close(&scope);
  unit = ldexp(1, -exponent);
  least = (double)n * DBL_EPSILON * (unit * largest);
  memset(phi, 0, m * r * sizeof *phi);
  invman_i_product_add(ctx, &room, 1, invman_i_plain(C, m, n, n), invman_i_transposed(invman_i_plain(U, r, n, n)), phi,
                       r, 0);
  for (i = 0; i < m; i++)
    for (k = 0; k < r; k++) {
      double value = unit * lambda[k];
      phi[i * r + k] = value > least ? ldexp(phi[i * r + k] / value, exponent_C - exponent) : 0;
    }
  scope.status = invman_i_check_result(ctx, phi, m * r, "nystrom_extension: phi is not finite");
  return invman_i_close(&scope);
}

/* A (n,n) <- P A P, P = 1 - 11'/n, right to the rounding of what is left: rows' and columns' means, however large, are
   subtracted at once. */
static invman_status invman_i_double_centre(invman_i_scope *scope, double *A, size_t n) {
  const invman_i_wide none = {0, 0};
  invman_i_wide *column = (invman_i_wide *)invman_i_take(scope, n, sizeof *column);
  invman_i_wide *row = (invman_i_wide *)invman_i_take(scope, n, sizeof *row);
  invman_i_wide *sum = (invman_i_wide *)invman_i_take(scope, n, sizeof *sum);
  size_t i, j;
  if (scope->status < 0) return scope->status;
  for (i = 0; i < n; i++) row[i] = invman_i_mean(A + i * n, n);
  for (j = 0; j < n; j++) column[j].high = invman_i_less(A[j], row[0], none);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) sum[j] = invman_i_wide_plus(sum[j], invman_i_less(A[i * n + j], row[i], column[j]));
  for (j = 0; j < n; j++) column[j] = invman_i_wide_plus(column[j], sum[j].high / (double)n);
  for (i = 0; i < n; i++)
    for (j = 0; j < n; j++) A[i * n + j] = invman_i_less(A[i * n + j], row[i], column[j]);
  return scope->status;
}

/* K centred and scaled, its norm 0 where only rounding is left. */
static double invman_i_centred(invman_i_scope *scope, const double *K, size_t n, double *out) {
  double unit = invman_i_unit(K, n * n), norm, left;
  size_t i;
  for (i = 0; i < n * n; i++) out[i] = unit * K[i];
  norm = sqrt(invman_i_inner(out, out, n * n));
  if (invman_i_double_centre(scope, out, n) < 0) return 0;
  left = sqrt(invman_i_inner(out, out, n * n));
  return left > 16 * DBL_EPSILON * norm ? left : 0;
}

/* <K_r, L_r>/(|K_r| |L_r|) of the r largest eigenpairs of both, which are destroyed. */
static invman_status invman_i_top_alignment(invman_i_scope *scope, double *K, double *L, size_t n, size_t r,
                                            double *alignment) {
  double *kappa = invman_i_doubles(scope, n), *lambda = invman_i_doubles(scope, n), sum = 0, kk = 0, ll = 0;
  size_t i, j;
  if (scope->status == INVMAN_OK) scope->status = invman_eigh(scope->ctx, n, K, kappa);
  if (scope->status >= 0) scope->status = invman_eigh(scope->ctx, n, L, lambda);
  if (scope->status < 0) return scope->status;
  for (i = 0; i < r; i++) {
    kappa[i] = kappa[i] > 0 ? kappa[i] : 0;
    lambda[i] = lambda[i] > 0 ? lambda[i] : 0;
    kk += kappa[i] * kappa[i];
    ll += lambda[i] * lambda[i];
  }
  for (i = 0; i < r; i++)
    for (j = 0; j < r; j++) {
      double cosine = invman_i_inner(K + i * n, L + j * n, n);
      sum += kappa[i] * cosine * (lambda[j] * cosine);
    }
  if (!(kk > 0 && ll > 0)) return invman_i_bad(scope->ctx, "centred_alignment: no positive eigenvalue is left");
  *alignment = invman_i_clamp(sum / sqrt(kk) / sqrt(ll), 0, 1);
  return INVMAN_OK;
}

invman_status invman_centred_alignment(const invman_context *ctx, const double *K, const double *L, size_t n, size_t r,
                                       double *alignment) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_matrix(ctx, K, n, n, "centred_alignment: K is NULL, empty or not finite");
  double *k, *l, k_norm, l_norm;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, L, n, n, "centred_alignment: L is NULL or not finite");
  if (status < 0) return status;
  if (!alignment || r > n) return invman_i_bad(ctx, "centred_alignment: alignment is NULL, or r exceeds n");
  k = invman_i_doubles(&scope, n * n);
  l = invman_i_doubles(&scope, n * n);
  if (scope.status < 0) return invman_i_close(&scope);
  k_norm = invman_i_centred(&scope, K, n, k);
  l_norm = invman_i_centred(&scope, L, n, l);
  if (scope.status < 0) return invman_i_close(&scope);
  if (!(k_norm > 0 && l_norm > 0)) scope.status = invman_i_bad(ctx, "centred_alignment: a kernel is all constant");
  else if (r > 0) scope.status = invman_i_top_alignment(&scope, k, l, n, r, alignment);
  else *alignment = invman_i_clamp(invman_i_inner(k, l, n * n) / k_norm / l_norm, -1, 1);
  return invman_i_close(&scope);
}

/* ---- subspaces */

/* Singular values of A (m,n), descending: sigma (m + n), of which min(m,n) count; the eigenvalues of [[0,A],[A',0]],
   which has them and their negatives. Those of A'A would lose half the digits. */
static invman_status invman_i_singular_values(invman_i_scope *scope, const double *A, size_t m, size_t n,
                                              double *sigma) {
  size_t side = invman_i_add(m, n), i, j;
  double *both = invman_i_doubles(scope, invman_i_mul(side, side));
  if (scope->status < 0) return scope->status;
  for (i = 0; i < m; i++)
    for (j = 0; j < n; j++) both[i * side + m + j] = A[i * n + j]; /* the upper triangle */
  scope->status = invman_eigvalsh(scope->ctx, side, both, sigma);
  invman_i_give(scope, both);
  return scope->status;
}

/* The rows of Q (k,d) become orthonormal (modified Gram-Schmidt, twice); those that depend on the ones before them are
   left out. Returns the rank. R (k,rank), with k columns' room in each row: Q = R times what is left; or NULL. */
static size_t invman_i_orthonormal_rows(double *Q, size_t k, size_t d, double *R) {
  size_t rank = 0, i, j, l, again;
  for (i = 0; i < k; i++) {
    double unit = invman_i_unit(Q + i * d, d), norm, left;
    double *q = Q + i * d, *to = Q + rank * d;
    norm = sqrt(invman_i_inner_scaled(q, q, d, unit, unit));
    for (l = 0; l < d; l++) to[l] = norm > 0 ? unit * q[l] / norm : 0;
    for (again = 0; again < 2; again++)
      for (j = 0; j < rank; j++) {
        double share = invman_i_inner(Q + j * d, to, d);
        for (l = 0; l < d; l++) to[l] -= share * Q[j * d + l];
        if (R) R[i * k + j] += share * norm / unit;
      }
    left = sqrt(invman_i_inner(to, to, d));
    if (!(left > 1e-12)) continue;
    for (l = 0; l < d; l++) to[l] /= left;
    if (R) R[i * k + rank] = left * norm / unit;
    rank++;
  }
  return rank;
}

/* An orthonormal copy of U's rows. */
static double *invman_i_basis(invman_i_scope *scope, const double *U, size_t k, size_t d, size_t *rank) {
  double *Q = invman_i_doubles(scope, invman_i_mul(k, d));
  if (scope->status < 0) return NULL;
  memcpy(Q, U, k * d * sizeof *Q);
  *rank = invman_i_orthonormal_rows(Q, k, d, NULL);
  if (*rank == 0) scope->status = invman_i_bad(scope->ctx, "a subspace is of rank 0");
  return Q;
}

/* cosines: singular values of V U', descending; sines: of V - (V U') U, through its triangular factor. V is the smaller
   subspace: its sines are all angles'. Each has m entries that count, and room for more. */
static invman_status invman_i_angles(invman_i_scope *scope, const double *U, size_t k, double *V, size_t m, size_t d,
                                     double *cosine, double *sine) {
  double *products = invman_i_doubles(scope, invman_i_mul(m, k)), *R = invman_i_doubles(scope, invman_i_mul(m, m));
  size_t i, j, l;
  if (scope->status < 0) return scope->status;
  for (i = 0; i < m; i++)
    for (j = 0; j < k; j++) products[i * k + j] = invman_i_inner(V + i * d, U + j * d, d);
  for (i = 0; i < m; i++)
    for (j = 0; j < k; j++) {
      double share = invman_i_inner(V + i * d, U + j * d, d); /* of what is left: as if twice */
      for (l = 0; l < d; l++) V[i * d + l] -= share * U[j * d + l];
    }
  (void)invman_i_orthonormal_rows(V, m, d, R);
  if (invman_i_singular_values(scope, products, m, k, cosine) < 0) return scope->status;
  return invman_i_singular_values(scope, R, m, m, sine);
}

invman_status invman_principal_angles(const invman_context *ctx, const double *U, size_t k, const double *V, size_t m,
                                      size_t d, double *theta, invman_angles *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_matrix(ctx, U, k, d, "principal_angles: U is NULL, empty or not finite");
  double *P, *Q, *cosine, *sine, squares = 0, angles = 0, cosines = 0, largest = 0;
  size_t i;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, V, m, d, "principal_angles: V is NULL, empty or not finite");
  if (status < 0) return status;
  if (k > d || m > d) return invman_i_bad(ctx, "principal_angles: a subspace of more rows than dimensions");
  cosine = invman_i_doubles(&scope, k + m);
  sine = invman_i_doubles(&scope, 2 * invman_i_max(k, m));
  P = invman_i_basis(&scope, U, k, d, &k);
  Q = invman_i_basis(&scope, V, m, d, &m);
  if (scope.status < 0) return invman_i_close(&scope);
  if (m > k) {
    double *swap = P;
    size_t count = k;
    P = Q;
    Q = swap;
    k = m;
    m = count;
  }
  if (invman_i_angles(&scope, P, k, Q, m, d, cosine, sine) < 0) return invman_i_close(&scope);
  for (i = 0; i < m; i++) {
    double s = fmin(1, fmax(0, sine[m - 1 - i])), c = fmin(1, fmax(0, cosine[i])), angle = atan2(s, c);
    if (theta) theta[i] = angle;
    squares += s * s;
    cosines += c * c;
    angles += angle * angle;
    largest = fmax(largest, angle);
  }
  if (out) {
    out->count = m;
    out->largest = largest;
    out->geodesic = sqrt(angles);
    out->chordal = sqrt(squares);
    out->projection = sqrt((double)(k - m) + 2 * squares);
    out->overlap = cosines / (double)m;
  }
  return invman_i_close(&scope);
}

invman_status invman_subspace_norms(const invman_context *ctx, const double *U, size_t k, size_t d, const double *x,
                                    size_t n, double *norm, double *residual) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_matrix(ctx, U, k, d, "subspace_norms: U is NULL, empty or not finite");
  double *Q, *left, *scaled;
  size_t i, j, l;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, x, n, d, "subspace_norms: x is NULL, empty or not finite");
  if (status < 0) return status;
  if (k > d) return invman_i_bad(ctx, "subspace_norms: a subspace of more rows than dimensions");
  Q = invman_i_basis(&scope, U, k, d, &k);
  left = invman_i_doubles(&scope, d);
  scaled = invman_i_doubles(&scope, d);
  if (scope.status < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++) {
    int exponent = invman_i_exponent(x + i * d, d);
    double inside = 0, unit = ldexp(1, -exponent);
    for (l = 0; l < d; l++) scaled[l] = left[l] = unit * x[i * d + l];
    for (j = 0; j < k; j++) {
      double share = invman_i_inner(Q + j * d, scaled, d);
      inside += share * share;
      for (l = 0; l < d; l++) left[l] -= share * Q[j * d + l];
    }
    if (norm) norm[i] = ldexp(sqrt(inside), exponent);
    if (residual) residual[i] = ldexp(invman_i_inner(left, left, d), 2 * exponent);
  }
  if (norm) scope.status = invman_i_check_result(ctx, norm, n, "subspace_norms: a norm is not finite");
  if (residual && scope.status >= 0)
    scope.status = invman_i_check_result(ctx, residual, n, "subspace_norms: a residual is not finite");
  if (scope.status < 0) {
    invman_i_empty(norm, n);
    invman_i_empty(residual, n);
  }
  return invman_i_close(&scope);
}

/* C (d,d) = factor A'B of A, B (n,d), symmetric */
static void invman_i_moment(const invman_context *ctx, const invman_i_gemm *room, double factor, invman_i_matrix A,
                            invman_i_matrix B, double *C) {
  size_t d = A.columns, i, j;
  memset(C, 0, d * d * sizeof *C);
  invman_i_product_add(ctx, room, factor, invman_i_transposed(A), B, C, d, 1);
  for (i = 0; i < d; i++)
    for (j = 0; j < i; j++) C[i * d + j] = C[j * d + i];
}

invman_status invman_weight_covariance(const invman_context *ctx, const invman_net *net, int by_beta, double *C) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status;
  invman_i_gemm room;
  invman_i_matrix rows;
  double *w = NULL;
  size_t n, k;
  if (!net || !C) return invman_i_bad(ctx, "weight_covariance: net or C is NULL");
  status = invman_i_check_square(ctx, net->d, "weight_covariance: d*d overflows");
  if (status == INVMAN_OK) status = invman_i_check_net(ctx, net);
  if (status < 0) return status;
  room = invman_i_gemm_reserve(&scope, net->d, net->d);
  if (by_beta) w = invman_i_doubles(&scope, net->h * net->d);
  if (scope.status < 0) return invman_i_close(&scope);
  for (n = 0; by_beta && n < net->h; n++)
    for (k = 0; k < net->d; k++) w[n * net->d + k] = net->beta[n] * net->w[n * net->d + k];
  rows = invman_i_plain(by_beta ? w : net->w, net->h, net->d, net->d);
  invman_i_moment(ctx, &room, 1 / (double)net->h, rows, rows, C);
  scope.status = invman_i_check_result(ctx, C, net->d * net->d, "weight_covariance: C is not finite");
  return invman_i_close(&scope);
}

/* The part of C's trace from first to end - 1, in units of 2^exponent */
static double invman_i_trace(const double *C, size_t d, size_t first, size_t end, int *exponent) {
  double sum = 0;
  size_t k;
  *exponent = -1000;
  for (k = first; k < end; k++) *exponent = (int)fmax(*exponent, invman_i_exponent(C + k * d + k, 1));
  for (k = first; k < end; k++) sum += ldexp(C[k * d + k], -*exponent);
  return sum;
}

double invman_metric_amplification(const double *C, size_t d, size_t d_par) {
  int a, b, odd;
  double par, perp;
  if (!C || d_par == 0 || d_par >= d) return 0;
  par = invman_i_trace(C, d, 0, d_par, &a);
  perp = invman_i_trace(C, d, d_par, d, &b);
  if (!(par > 0)) return 0;
  odd = (a - b) % 2; /* the rest of the power of two has a root */
  return ldexp(sqrt((double)(d - d_par) / (double)d_par * ldexp(par / perp, odd)), (a - b - odd) / 2);
}

/* ---- directions that matter */

typedef struct invman_i_active {
  const invman_net *net;
  const double *x;
  size_t n;
  double *out; /* (n,d), (n,d,d) or, for patterns, NULL */
  uint64_t *bits;
  size_t words;
  double unit; /* of the metric: times the weights */
} invman_i_active;

enum { INVMAN_I_ACTIVE_TILE = 16 }; /* points per task */

/* z of neuron n, once more where it is 0 or no number because products of weights and points are beyond all numbers: in
   a unit that is the same for all points below 2^exponent. */
static double invman_i_far_z(const invman_net *net, size_t n, const double *x, int exponent, double root, double z) {
  const double *w = net->w + n * net->d;
  int own = invman_i_exponent(w, net->d), all = own + exponent, bias = -2000;
  double sum;
  if (all > -900 && all < 900) return z;
  if (net->b[n] != 0) (void)frexp(net->b[n], &bias);
  sum = invman_i_inner_scaled(w, x, net->d, ldexp(1, -own), ldexp(1, -exponent)) / root;
  return bias > all ? ldexp(net->b[n], -bias) + ldexp(sum, all - bias) : ldexp(net->b[n], -all) + sum;
}

/* root: sqrt(d) */
static int invman_i_is_active(const invman_net *net, size_t n, const double *x, double root) {
  double z = net->b[n] + invman_i_inner(net->w + n * net->d, x, net->d) / root;
  if (!(fabs(z) > 1e-250 && fabs(z) <= DBL_MAX)) z = invman_i_far_z(net, n, x, invman_i_exponent(x, net->d), root, z);
  return z > 0;
}

static invman_status invman_i_check_rows(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                         const char *what) {
  invman_status status = invman_i_check_net(ctx, net);
  return status < 0 ? status : invman_i_check_matrix(ctx, x, n, net->d, what);
}

static void invman_i_input_gradients(size_t task, void *arg) {
  const invman_i_active *s = (const invman_i_active *)arg;
  const invman_net *net = s->net;
  size_t d = net->d, i, n, k, end = invman_i_min((task + 1) * INVMAN_I_ACTIVE_TILE, s->n);
  double factor = sqrt(2.0 / (double)d) / (double)net->h, root = sqrt((double)d);
  for (i = task * INVMAN_I_ACTIVE_TILE; i < end; i++) {
    double *grad = s->out + i * d;
    memset(grad, 0, d * sizeof *grad);
    for (n = 0; n < net->h; n++)
      if (invman_i_is_active(net, n, s->x + i * d, root))
        for (k = 0; k < d; k++) grad[k] += net->beta[n] * net->w[n * d + k];
    for (k = 0; k < d; k++) grad[k] *= factor;
  }
}

invman_status invman_input_gradient(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                    double *grad) {
  invman_status status = invman_i_check_rows(ctx, net, x, n, "input_gradient: x is NULL, empty or not finite");
  invman_i_active s;
  if (status < 0) return status;
  if (!grad) return invman_i_bad(ctx, "input_gradient: grad is NULL");
  memset(&s, 0, sizeof s);
  s.net = net;
  s.x = x;
  s.n = n;
  s.out = grad;
  invman_i_parallel(ctx, (n - 1) / INVMAN_I_ACTIVE_TILE + 1, invman_i_input_gradients, &s,
                    (double)n * (double)net->h * (double)net->d);
  return invman_i_check_result(ctx, grad, n * net->d, "input_gradient: grad is not finite");
}

/* out = x 2^exponent, or empty where that is not finite */
static invman_status invman_i_rescaled(const invman_context *ctx, const double *x, size_t n, int exponent, double *out,
                                       const char *what) {
  size_t i;
  for (i = 0; i < n; i++) out[i] = ldexp(x[i], exponent);
  return invman_i_check_result(ctx, out, n, what);
}

invman_status invman_active_subspace(const invman_context *ctx, const double *grad, size_t n, size_t d, size_t r,
                                     double *C, double *lambda, double *V, double *activity) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_square(ctx, d, "active_subspace: d*d overflows");
  invman_i_gemm room;
  double *vectors, *values;
  int exponent;
  size_t i, j;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, grad, n, d, "active_subspace: grad is NULL, empty or not finite");
  if (status < 0) return status;
  if (r > d) return invman_i_bad(ctx, "active_subspace: r exceeds d");
  room = invman_i_gemm_reserve(&scope, d, d);
  vectors = invman_i_doubles(&scope, invman_i_mul(d, d));
  values = invman_i_doubles(&scope, d);
  exponent = invman_i_far_exponent(grad, n * d);
  grad = invman_i_in_unit(&scope, grad, n * d, exponent);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_moment(ctx, &room, 1 / (double)n, invman_i_plain(grad, n, d, d), invman_i_plain(grad, n, d, d), vectors);
  if (C) scope.status = invman_i_rescaled(ctx, vectors, d * d, 2 * exponent, C, "active_subspace: C is not finite");
  if ((lambda || V || activity) && scope.status >= 0) scope.status = invman_eigh(ctx, d, vectors, values);
  if (lambda && scope.status >= 0)
    scope.status = invman_i_rescaled(ctx, values, d, 2 * exponent, lambda, "active_subspace: lambda is not finite");
  for (i = 0; activity && i < d && scope.status >= 0; i++) {
    activity[i] = 0;
    for (j = 0; j < (r > 0 ? r : d); j++)
      activity[i] += (values[j] > 0 ? values[j] : 0) * vectors[j * d + i] * vectors[j * d + i];
  }
  if (activity && scope.status >= 0)
    scope.status = invman_i_rescaled(ctx, activity, d, 2 * exponent, activity, "active_subspace: activity not finite");
  if (V && scope.status >= 0) memcpy(V, vectors, d * d * sizeof *V);
  if (scope.status < 0) {
    invman_i_empty(C, d * d);
    invman_i_empty(lambda, d);
    invman_i_empty(activity, d);
  }
  return invman_i_close(&scope);
}

/* m1, M2 of the labels y; yx (n,d) is scratch. */
static void invman_i_stein(const invman_context *ctx, const invman_i_gemm *room, const invman_data *data,
                           const double *y, double *yx, double *m1, double *M2) {
  size_t n = data->n, d = data->d, i, k;
  double mean = 0;
  memset(m1, 0, d * sizeof *m1);
  for (i = 0; i < n; i++) {
    mean += y[i] / (double)n;
    for (k = 0; k < d; k++) {
      yx[i * d + k] = y[i] * data->x[i * d + k];
      m1[k] += yx[i * d + k] / (double)n;
    }
  }
  invman_i_moment(ctx, room, 1 / (double)n, invman_i_plain(yx, n, d, d), invman_i_plain(data->x, n, d, d), M2);
  for (k = 0; k < d; k++) M2[k * d + k] -= mean;
}

static invman_status invman_i_check_moments(const invman_context *ctx, const invman_data *data) {
  invman_status status = data ? invman_i_check_square(ctx, data->d, "stein: d*d overflows") : INVMAN_OK;
  return status < 0 ? status : invman_i_check_data(ctx, data);
}

invman_status invman_stein_moments(const invman_context *ctx, const invman_data *data, double *m1, double *M2) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_moments(ctx, data);
  invman_i_gemm room;
  double *yx;
  size_t d;
  if (status < 0) return status;
  d = data->d;
  room = invman_i_gemm_reserve(&scope, d, d);
  yx = invman_i_doubles(&scope, data->n * d);
  if (!m1) m1 = invman_i_doubles(&scope, d);
  if (!M2) M2 = invman_i_doubles(&scope, d * d);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_stein(ctx, &room, data, data->y, yx, m1, M2);
  scope.status = invman_i_check_result(ctx, m1, d, "stein_moments: m1 is not finite");
  if (scope.status >= 0) scope.status = invman_i_check_result(ctx, M2, d * d, "stein_moments: M2 is not finite");
  return invman_i_close(&scope);
}

typedef struct invman_i_stein_room {
  invman_i_gemm gemm;
  double *yx, *m1, *M2, *values; /* (n,d), (d), (d,d), (d) */
} invman_i_stein_room;

/* S = M2^2 + m1 m1' of the labels y, its eigenvalues' roots, and with `vectors` its eigenvectors in place of S */
static invman_status invman_i_stein_strength(const invman_context *ctx, invman_i_stein_room *s, const invman_data *data,
                                             const double *y, double *S, int vectors) {
  size_t d = data->d, i, j;
  invman_status status;
  invman_i_stein(ctx, &s->gemm, data, y, s->yx, s->m1, s->M2);
  invman_i_moment(ctx, &s->gemm, 1, invman_i_plain(s->M2, d, d, d), invman_i_plain(s->M2, d, d, d), S);
  for (i = 0; i < d; i++)
    for (j = 0; j < d; j++) S[i * d + j] += s->m1[i] * s->m1[j];
  status = invman_i_check_result(ctx, S, d * d, "stein_directions: the moments are not finite");
  if (status < 0) return status;
  status = vectors ? invman_eigh(ctx, d, S, s->values) : invman_eigvalsh(ctx, d, S, s->values);
  for (i = 0; i < d; i++) s->values[i] = s->values[i] > 0 ? sqrt(s->values[i]) : 0;
  return status;
}

/* What rounding may make of moments that are 0: each is a sum of n terms of the size of y x or y (x x' - 1). */
static double invman_i_stein_rounding(const invman_data *data) {
  double square = 0, n = (double)data->n;
  size_t i;
  for (i = 0; i < data->n * data->d; i++) square += data->x[i] * data->x[i] / n;
  return DBL_EPSILON * sqrt(n) * (1 + square);
}

invman_status invman_stein_directions(const invman_context *ctx, const invman_data *data, size_t draws, invman_rng *rng,
                                      double *strength, double *V, double *noise, size_t *found) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_moments(ctx, data);
  invman_i_stein_room s;
  invman_rng drawn = {{0, 0, 0, 0}};
  double *y, *S, most = 0;
  size_t d, k, count = 0;
  if (status < 0) return status;
  if (draws > 0 && !rng) return invman_i_bad(ctx, "stein_directions: draws without rng");
  d = data->d;
  s.gemm = invman_i_gemm_reserve(&scope, d, d);
  s.yx = invman_i_doubles(&scope, data->n * d);
  s.m1 = invman_i_doubles(&scope, d);
  s.M2 = invman_i_doubles(&scope, d * d);
  s.values = invman_i_doubles(&scope, d);
  y = invman_i_doubles(&scope, data->n);
  S = invman_i_doubles(&scope, d * d);
  if (scope.status < 0) return invman_i_close(&scope);
  memcpy(y, data->y, data->n * sizeof *y);
  if (draws > 0) drawn = *rng;
  most = draws > 0 ? 0 : sqrt(5 * (double)d / (double)data->n);
  for (k = 0; k < draws && scope.status >= 0; k++) {
    invman_i_shuffle(y, data->n, &drawn);
    scope.status = invman_i_stein_strength(ctx, &s, data, y, S, 0);
    most = fmax(most, s.values[0]);
  }
  if (scope.status >= 0) scope.status = invman_i_stein_strength(ctx, &s, data, data->y, S, 1);
  if (scope.status < 0) return invman_i_close(&scope);
  for (k = 0; k < d; k++) count += s.values[k] > (1 + 1e-9) * most + invman_i_stein_rounding(data);
  if (draws > 0) *rng = drawn;
  if (V) memcpy(V, S, d * d * sizeof *V);
  if (strength) memcpy(strength, s.values, d * sizeof *strength);
  if (noise) *noise = most;
  if (found) *found = count;
  return invman_i_close(&scope);
}

/* g(x) of each point, in the square of the unit: the sum over its active neurons of omega omega' */
static void invman_i_pullback(size_t task, void *arg) {
  const invman_i_active *s = (const invman_i_active *)arg;
  const invman_net *net = s->net;
  size_t d = net->d, i, n, j, k, end = invman_i_min((task + 1) * INVMAN_I_ACTIVE_TILE, s->n);
  double factor = 2 / ((double)net->h * (double)d), root = sqrt((double)d);
  for (i = task * INVMAN_I_ACTIVE_TILE; i < end; i++) {
    double *g = s->out + i * d * d;
    memset(g, 0, d * d * sizeof *g);
    for (n = 0; n < net->h; n++) {
      const double *w = net->w + n * d;
      if (!invman_i_is_active(net, n, s->x + i * d, root)) continue;
      for (j = 0; j < d; j++)
        for (k = j; k < d; k++) g[j * d + k] += (s->unit * w[j]) * (s->unit * w[k]);
    }
    for (j = 0; j < d; j++)
      for (k = j; k < d; k++) g[k * d + j] = g[j * d + k] *= factor;
  }
}

/* ln sqrt(det A) of A (d,d) positive semi-definite, destroyed */
static invman_status invman_i_log_volume(const invman_context *ctx, double *A, size_t d, double *lambda, double *out) {
  invman_status status = invman_eigvalsh(ctx, d, A, lambda);
  size_t k;
  *out = 0;
  for (k = 0; k < d; k++)
    *out = lambda[k] > (double)d * DBL_EPSILON * lambda[0] ? *out + 0.5 * invman_i_log(lambda[k]) : -HUGE_VAL;
  return status;
}

invman_status invman_pullback_metric(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                     size_t d_par, double *g, double *log_volume, double *amplification) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status;
  invman_i_active s;
  double *copy, *lambda;
  int exponent;
  size_t i, d, square;
  if (!net || d_par > net->d) return invman_i_bad(ctx, "pullback_metric: net is NULL, or d_par exceeds d");
  d = net->d;
  square = invman_i_mul(d, d);
  if (invman_i_mul(n, square) > SIZE_MAX / sizeof(double))
    return invman_i_fail(ctx, INVMAN_E_SIZE, "pullback_metric: n*d*d overflows", "", 0);
  status = invman_i_check_rows(ctx, net, x, n, "pullback_metric: x is NULL, empty or not finite");
  if (status < 0) return status;
  memset(&s, 0, sizeof s);
  s.net = net;
  s.x = x;
  s.n = n;
  s.out = g ? g : invman_i_doubles(&scope, n * square);
  exponent = invman_i_far_exponent(net->w, net->h * d);
  s.unit = ldexp(1, -exponent);
  copy = invman_i_doubles(&scope, square);
  lambda = invman_i_doubles(&scope, d);
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_parallel(ctx, (n - 1) / INVMAN_I_ACTIVE_TILE + 1, invman_i_pullback, &s,
                    (double)n * (double)net->h * (double)square);
  for (i = 0; i < n && scope.status >= 0; i++) {
    if (amplification) amplification[i] = invman_metric_amplification(s.out + i * square, d, d_par);
    if (!log_volume) continue;
    memcpy(copy, s.out + i * square, square * sizeof *copy);
    scope.status = invman_i_log_volume(ctx, copy, d, lambda, &log_volume[i]);
    log_volume[i] += (double)exponent * (double)d * 0.69314718055994530942;
  }
  if (g && scope.status >= 0)
    scope.status = invman_i_rescaled(ctx, g, n * square, 2 * exponent, g, "pullback_metric: g is not finite");
  if (scope.status < 0) {
    invman_i_empty(g, n * square);
    invman_i_empty(log_volume, n);
    invman_i_empty(amplification, n);
  }
  return invman_i_close(&scope);
}

/* ---- classes: equal values of y */

typedef struct invman_i_classes {
  size_t count, *of, *size; /* of: each point's class (n); size: each class's points */
  double *value;            /* ascending (n) */
} invman_i_classes;

static void invman_i_classes_of(invman_i_scope *scope, const double *y, size_t n, invman_i_classes *c) {
  size_t i;
  c->count = 0;
  c->value = invman_i_doubles(scope, n);
  c->of = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  c->size = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  if (scope->status < 0) return;
  memcpy(c->value, y, n * sizeof *y);
  invman_i_sort(c->value, n);
  for (i = 0; i < n; i++)
    if (i == 0 || c->value[i] != c->value[c->count - 1]) c->value[c->count++] = c->value[i];
  for (i = 0; i < n; i++) {
    size_t low = 0, high = c->count;
    while (high - low > 1) {
      size_t middle = low + (high - low) / 2;
      if (y[i] < c->value[middle]) high = middle;
      else low = middle;
    }
    c->of[i] = low;
    c->size[low]++;
  }
}

/* ---- neural collapse: with the features' inner products K, everything is a mean of K over pairs of classes */

typedef struct invman_i_means {
  invman_i_classes c;
  double *point;  /* (n,C) mean of K over a point and a class: h_i . mean_c */
  double *all;    /* (n) h_i . mean of all */
  double *mean;   /* (C,C) mean_c . mean_c' */
  double *centre; /* (C) mean_c . mean of all */
  double *G;      /* (C,C) the centred means' products, in the end their eigenvectors */
  double *values; /* (C) and eigenvalues */
  double square;  /* |mean of all|^2 */
  double shift;   /* what all of K has in common: taken off, which changes differences of means only by less rounding */
} invman_i_means;

static void invman_i_means_take(invman_i_scope *scope, const double *y, size_t n, invman_i_means *s) {
  size_t C;
  invman_i_classes_of(scope, y, n, &s->c);
  C = s->c.count;
  s->point = invman_i_doubles(scope, invman_i_mul(n, C));
  s->all = invman_i_doubles(scope, n);
  s->mean = invman_i_doubles(scope, invman_i_mul(C, C));
  s->G = invman_i_doubles(scope, invman_i_mul(C, C));
  s->centre = invman_i_doubles(scope, C);
  s->values = invman_i_doubles(scope, C);
  s->square = 0;
}

static void invman_i_means_fill(const double *K, size_t n, double unit, invman_i_means *s) {
  const invman_i_classes *c = &s->c;
  double low = K[0], high = invman_i_greatest(K, n * n);
  size_t C = c->count, i, j, k;
  for (i = 0; i < n * n; i++) low = fmin(low, K[i]);
  s->shift = unit * (low > 0 ? low : high < 0 ? high : 0);
  for (i = 0; i < n; i++) {
    double *point = s->point + i * C;
    for (j = 0; j < n; j++) point[c->of[j]] += unit * K[i * n + j] - s->shift;
    for (k = 0; k < C; k++) {
      s->all[i] += point[k] / (double)n;
      point[k] /= (double)c->size[k];
    }
  }
  for (i = 0; i < n; i++) {
    for (k = 0; k < C; k++) s->mean[c->of[i] * C + k] += s->point[i * C + k];
    s->centre[c->of[i]] += s->all[i];
    s->square += s->all[i] / (double)n;
  }
  for (j = 0; j < C; j++) {
    s->centre[j] /= (double)c->size[j];
    for (k = 0; k < C; k++) s->mean[j * C + k] /= (double)c->size[j];
  }
  for (j = 0; j < C; j++)
    for (k = 0; k < C; k++) s->G[j * C + k] = s->mean[j * C + k] - s->centre[j] - s->centre[k] + s->square;
}

static double invman_i_cosine(const double *G, size_t C, size_t j, size_t k, double shift) {
  double norms = sqrt(fmax(0, G[j * C + j] + shift)) * sqrt(fmax(0, G[k * C + k] + shift));
  return norms > 0 ? invman_i_clamp((G[j * C + k] + shift) / norms, -1, 1) : 0;
}

/* The means' norms and angles; returns tr Sigma_B. */
static double invman_i_collapse_means(const invman_i_means *s, invman_collapse *out) {
  size_t C = s->c.count, j, k;
  double mean = 0, spread = 0;
  for (j = 0; j < C; j++) mean += s->G[j * C + j] / (double)C;
  for (j = 0; j < C; j++) {
    spread += (s->G[j * C + j] - mean) * (s->G[j * C + j] - mean) / (double)C;
    for (k = 0; k < j; k++) {
      out->nc2_angles = fmax(out->nc2_angles, fabs(invman_i_cosine(s->G, C, j, k, 0) + 1 / (double)(C - 1)));
      out->uncentred_cosine = fmax(out->uncentred_cosine, fabs(invman_i_cosine(s->mean, C, j, k, s->shift)));
    }
  }
  out->nc2_norms = mean > 0 ? sqrt(spread) / mean : 0;
  return mean;
}

/* sum_k e_k' Sigma_W e_k/values_k along the directions e_k that the centred means span: G's eigenvectors, without
   those that are only the rounding of the means' products. A point's distance from its class mean along e_k is a sum
   over the classes. */
static double invman_i_collapse_variance(const invman_i_means *s, size_t n) {
  size_t C = s->c.count, i, j, k;
  double sum = 0, least = (double)C * 64 * DBL_EPSILON * (invman_i_largest(s->mean, C * C) + fabs(s->shift));
  for (k = 0; k < C && s->values[k] > least; k++)
    for (i = 0; i < n; i++) {
      size_t own = s->c.of[i];
      double along = 0;
      for (j = 0; j < C; j++)
        along += s->G[k * C + j] * ((s->point[i * C + j] - s->all[i]) - (s->mean[own * C + j] - s->centre[own]));
      sum += along / s->values[k] * (along / s->values[k]) / (double)n;
    }
  return sum;
}

invman_status invman_neural_collapse(const invman_context *ctx, const double *K, const double *y, size_t n,
                                     invman_collapse *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_matrix(ctx, K, n, n, "neural_collapse: K is NULL, empty or not finite");
  invman_i_means s;
  double unit, trace = 0;
  size_t i, k, C;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, y, n, 1, "neural_collapse: y is NULL or not finite");
  if (status < 0) return status;
  if (!out) return invman_i_bad(ctx, "neural_collapse: out is NULL");
  memset(out, 0, sizeof *out);
  invman_i_means_take(&scope, y, n, &s);
  if (scope.status == INVMAN_OK && s.c.count < 2)
    scope.status = invman_i_bad(ctx, "neural_collapse: all points are of one class");
  if (scope.status < 0) return invman_i_close(&scope);
  C = s.c.count;
  unit = invman_i_unit(K, n * n);
  invman_i_means_fill(K, n, unit, &s);

  out->classes = C;
  for (i = 0; i < n; i++) {
    size_t own = s.c.of[i], nearer = 0;
    double distance = s.mean[own * C + own] - 2 * s.point[i * C + own];
    trace += unit * K[i * n + i] / (double)n;
    out->within += (unit * K[i * n + i] - s.shift - s.mean[own * C + own]) / (double)n;
    for (k = 0; k < C; k++) nearer |= k != own && s.mean[k * C + k] - 2 * s.point[i * C + k] < distance;
    out->nearest_mean_error += (double)nearer / (double)n;
  }
  out->between = invman_i_collapse_means(&s, out);
  if (!(out->within > 16 * DBL_EPSILON * fabs(trace))) out->within = 0; /* what rounding may leave of 0 */
  if (!(out->between > 16 * DBL_EPSILON * fabs(trace))) out->between = 0;
  out->nc1_trace = out->within > 0 ? out->within / out->between : 0;
  scope.status = invman_eigh(ctx, C, s.G, s.values);
  out->nc1 = out->within > 0 ? out->between > 0 ? invman_i_collapse_variance(&s, n) : HUGE_VAL : 0;

  out->within /= unit;
  out->between /= unit;
  if (scope.status >= 0) scope.status = invman_i_check_result(ctx, &out->within, 1, "neural_collapse: too large");
  if (scope.status >= 0) scope.status = invman_i_check_result(ctx, &out->between, 1, "neural_collapse: too large");
  if (scope.status < 0) memset(out, 0, sizeof *out);
  return invman_i_close(&scope);
}

/* ---- intrinsic dimension */

invman_status invman_kernel_distances(const invman_context *ctx, const double *K, size_t n, double *D) {
  invman_status status = invman_i_check_matrix(ctx, K, n, n, "kernel_distances: K is NULL, empty or not finite");
  size_t i, j;
  if (status < 0) return status;
  if (!D) return invman_i_bad(ctx, "kernel_distances: D is NULL");
  for (i = 0; i < n; i++) {
    D[i * n + i] = 0;
    for (j = 0; j < i; j++)
      D[i * n + j] = D[j * n + i] =
          2 * sqrt(invman_i_kernel_distance(K[i * n + i], K[j * n + j], 0.5 * K[i * n + j] + 0.5 * K[j * n + i]));
  }
  return INVMAN_OK;
}

typedef struct invman_i_distances {
  const double *x;
  size_t n, d;
  double unit, *D;
} invman_i_distances;

/* Of two points so near to each other that in the unit of all the squares would be lost: in a unit of their own */
static double invman_i_near_distance(const double *a, const double *b, size_t d) {
  double most = 0, sum = 0, unit;
  size_t k;
  for (k = 0; k < d; k++) most = fmax(most, fabs(a[k] - b[k]));
  unit = invman_i_unit(&most, 1);
  for (k = 0; k < d; k++) sum += (unit * (a[k] - b[k])) * (unit * (a[k] - b[k]));
  return sqrt(sum) / unit;
}

static void invman_i_distance_row(size_t i, void *arg) {
  const invman_i_distances *s = (const invman_i_distances *)arg;
  const double *a = s->x + i * s->d;
  size_t j, k;
  for (j = 0; j < s->n; j++) {
    const double *b = s->x + j * s->d;
    double sum = 0;
    for (k = 0; k < s->d; k++) {
      double difference = s->unit * a[k] - s->unit * b[k];
      sum += difference * difference;
    }
    s->D[i * s->n + j] = sum > 1e-280 || i == j ? sqrt(sum) / s->unit : invman_i_near_distance(a, b, s->d);
  }
}

invman_status invman_point_distances(const invman_context *ctx, const double *x, size_t n, size_t d, double *D) {
  invman_status status = invman_i_check_square(ctx, n, "point_distances: n*n overflows");
  invman_i_distances s;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, x, n, d, "point_distances: x is NULL, empty or not finite");
  if (status < 0) return status;
  if (!D) return invman_i_bad(ctx, "point_distances: D is NULL");
  s.x = x;
  s.n = n;
  s.d = d;
  s.unit = invman_i_unit(x, n * d);
  s.D = D;
  invman_i_parallel(ctx, n, invman_i_distance_row, &s, (double)n * (double)n * (double)d);
  return invman_i_check_result(ctx, D, n * n, "point_distances: a distance is not finite");
}

static invman_status invman_i_check_distances(const invman_context *ctx, const double *D, size_t n) {
  invman_status status = invman_i_check_matrix(ctx, D, n, n, "distances: D is NULL, empty or not finite");
  size_t i;
  for (i = 0; status == INVMAN_OK && i < n * n; i++)
    if (D[i] < 0 || (i % (n + 1) == 0 && D[i] != 0))
      status = invman_i_fail(ctx, INVMAN_E_ARG, "distances: one is negative, or not 0 on the diagonal", "element", i);
  return status;
}

invman_status invman_median_distance(const invman_context *ctx, const double *D, size_t n, double *median) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  double *all;
  size_t i, j, count = 0;
  if (status < 0) return status;
  if (!median || n < 2) return invman_i_bad(ctx, "median_distance: median is NULL, or fewer than two points");
  all = (double *)invman_i_take_unset(&scope, n * n / 2, sizeof(double));
  if (scope.status < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++) all[count++] = D[i * n + j];
  *median = invman_i_median(all, count);
  return invman_i_close(&scope);
}

/* The k nearest others of every point that has no equal, among such points. */
typedef struct invman_i_nearest {
  const double *D;
  size_t n, k, count;
  unsigned char *equal; /* (n) */
  double *r;            /* (n,k) ascending */
} invman_i_nearest;

static void invman_i_nearest_of(size_t i, void *arg) {
  const invman_i_nearest *s = (const invman_i_nearest *)arg;
  const double *row = s->D + i * s->n;
  double *r = s->r + i * s->k;
  size_t j, had = 0;
  if (s->equal[i]) return;
  for (j = 0; j < s->n; j++) {
    if (j == i || s->equal[j]) continue;
    if (had < s->k) {
      r[had++] = row[j];
      if (had == s->k) invman_i_heapify(r, s->k);
    } else if (row[j] < r[0]) {
      r[0] = row[j];
      invman_i_sift(r, s->k, 0);
    }
  }
  invman_i_sort(r, s->k);
}

static invman_status invman_i_find_nearest(invman_i_scope *scope, const double *D, size_t n, size_t k, size_t least,
                                           invman_i_nearest *s) {
  size_t i, j;
  s->D = D;
  s->n = n;
  s->k = k;
  s->count = 0;
  s->equal = (unsigned char *)invman_i_take(scope, n, 1);
  if (scope->status < 0) return scope->status;
  for (i = 0; i < n; i++) {
    for (j = 0; j < n; j++) s->equal[i] |= (unsigned char)(j != i && D[i * n + j] == 0);
    s->count += !s->equal[i];
  }
  if (s->count < least)
    return scope->status = invman_i_bad(scope->ctx, "two_nn, local_dimension: too few points that have no equal");
  s->r = invman_i_doubles(scope, invman_i_mul(n, k));
  if (scope->status < 0) return scope->status;
  invman_i_parallel(scope->ctx, n, invman_i_nearest_of, s, (double)n * (double)n);
  return INVMAN_OK;
}

/* The slope through the origin of -ln(1 - F) against ln mu, ascending, F = i/N, of the first nine tenths */
static double invman_i_two_nn_fit(double *log_mu, size_t count) {
  double xx = 0, xy = 0;
  size_t i;
  invman_i_sort(log_mu, count);
  for (i = 1; i <= count * 9 / 10; i++) {
    xx += log_mu[i - 1] * log_mu[i - 1];
    xy -= log_mu[i - 1] * invman_i_log(1 - (double)i / (double)count);
  }
  return xx > 0 ? xy / xx : HUGE_VAL;
}

invman_status invman_two_nn(const invman_context *ctx, const double *D, size_t n, int method, double *dimension) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  invman_i_nearest s;
  double *log_mu, sum = 0;
  size_t i, count = 0;
  if (status < 0) return status;
  if (!dimension || method < INVMAN_TWO_NN_MLE || method > INVMAN_TWO_NN_FIT)
    return invman_i_bad(ctx, "two_nn: dimension is NULL, or an unknown method");
  log_mu = invman_i_doubles(&scope, n);
  if (scope.status < 0 || invman_i_find_nearest(&scope, D, n, 2, 3, &s) < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++) {
    if (s.equal[i]) continue;
    log_mu[count] = invman_i_log_ratio(s.r[2 * i + 1], s.r[2 * i]);
    if (s.r[2 * i] > (1 - 16 * DBL_EPSILON) * s.r[2 * i + 1]) log_mu[count] = 0; /* equal up to rounding */
    sum += log_mu[count++];
  }
  if (method == INVMAN_TWO_NN_FIT) *dimension = invman_i_two_nn_fit(log_mu, count);
  else *dimension = sum > 0 ? (double)(count - 1) / sum : HUGE_VAL;
  return invman_i_close(&scope);
}

/* From r_1 <= .. <= r_k, in proportion to r_k. What differs from r_k by rounding is as far. */
static double invman_i_lid(const double *r, size_t k, int method) {
  double ratios = 0, logs = 0, count = (double)k;
  size_t j;
  for (j = 0; j < k; j++) {
    double ratio = r[j] / r[k - 1];
    if (ratio > 1 - 16 * DBL_EPSILON) ratio = 1;
    ratios += ratio;
    logs += ratio >= DBL_MIN ? invman_i_log(ratio) : invman_i_log(r[j]) - invman_i_log(r[k - 1]);
  }
  if (method == INVMAN_LID_MOMENTS) return ratios < count ? ratios / (count - ratios) : HUGE_VAL;
  if (method == INVMAN_LID_MLE) count--;
  return logs < 0 ? -count / logs : HUGE_VAL;
}

invman_status invman_local_dimension(const invman_context *ctx, const double *D, size_t n, size_t k, int method,
                                     double *lid, double *harmonic, double *geometric) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  invman_i_nearest s;
  double inverse = 0, logs = 0;
  size_t i, finite = 0;
  if (status < 0) return status;
  if (k < 2 || k >= n || method < INVMAN_LID_MLE || method > INVMAN_LID_AMSALEG)
    return invman_i_bad(ctx, "local_dimension: k must be 2 to n - 1, or an unknown method");
  if (invman_i_find_nearest(&scope, D, n, k, k + 1, &s) < 0) return invman_i_close(&scope);
  for (i = 0; i < n; i++) {
    double value = s.equal[i] ? 0 : invman_i_lid(s.r + i * k, k, method);
    if (lid) lid[i] = value;
    if (s.equal[i]) continue;
    inverse += 1 / value / (double)s.count;
    if (value > DBL_MAX) continue;
    logs += invman_i_log(value);
    finite++;
  }
  if (harmonic) *harmonic = inverse > 0 ? 1 / inverse : HUGE_VAL;
  if (geometric) *geometric = finite > 0 ? invman_i_exp(logs / (double)finite) : HUGE_VAL;
  return invman_i_close(&scope);
}

double invman_lid_distance(double a, double b) {
  return a == b ? 0 : fabs(invman_i_log(a) - invman_i_log(b)); /* also of two that are infinite */
}

/* Prim's tree of the first m of n points: of those outside, the nearest to the tree joins it. best: scratch (m) */
static double invman_i_tree(const double *D, size_t n, size_t m, double unit, double *best) {
  double length = 0;
  size_t at = 0, i, round;
  for (i = 0; i < m; i++) best[i] = HUGE_VAL;
  for (round = 1; round < m; round++) {
    size_t next = m;
    best[at] = -1;
    for (i = 0; i < m; i++) {
      if (best[i] < 0) continue;
      best[i] = fmin(best[i], unit * D[at * n + i]);
      if (next == m || best[i] < best[next]) next = i;
    }
    length += best[next];
    at = next;
  }
  return length;
}

invman_status invman_mst_length(const invman_context *ctx, const double *D, size_t n, double *length) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  double *best, unit;
  if (status < 0) return status;
  if (!length) return invman_i_bad(ctx, "mst_length: length is NULL");
  best = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);
  unit = invman_i_unit(D, n * n);
  *length = invman_i_tree(D, n, n, unit, best) / unit;
  scope.status = invman_i_check_result(ctx, length, 1, "mst_length: the length is not finite");
  return invman_i_close(&scope);
}

invman_status invman_mst_dimension(const invman_context *ctx, const double *D, size_t n, double *dimension) {
  enum { SIZES = 5, LEAST = 64 };
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  double *best, unit, count[SIZES], length[SIZES], slope = 0;
  size_t k;
  if (status < 0) return status;
  if (!dimension || n < LEAST) return invman_i_bad(ctx, "mst_dimension: dimension is NULL, or fewer than 64 points");
  best = invman_i_doubles(&scope, n);
  if (scope.status < 0) return invman_i_close(&scope);
  unit = invman_i_unit(D, n * n);
  for (k = 0; k < SIZES; k++) {
    size_t m = n >> (SIZES - 1 - k);
    count[k] = (double)m;
    length[k] = invman_i_tree(D, n, m, unit, best);
  }
  if (invman_fit_power_law(NULL, count, length, SIZES, &slope, NULL) < 0)
    scope.status = invman_i_bad(ctx, "mst_dimension: a tree of length 0: too many equal points");
  else *dimension = slope < 1 ? 1 / (1 - slope) : HUGE_VAL;
  return invman_i_close(&scope);
}

/* ---- diffusion spectral entropy */

typedef struct invman_i_diffusion {
  const invman_context *ctx;
  const double *D; /* (n,n) */
  size_t n;
  size_t *indices; /* (n) a permutation of the points, of which the first ones are looked at */
  double sigma, t;
  double *K, *lambda, *root; /* (n,n), (n), (n) */
} invman_i_diffusion;

static invman_status invman_i_diffusion_take(invman_i_scope *scope, const double *D, size_t n, double sigma, double t,
                                             invman_i_diffusion *s) {
  size_t i;
  s->ctx = scope->ctx;
  s->D = D;
  s->n = n;
  s->sigma = invman_i_or(sigma, 10);
  s->t = invman_i_or(t, 1);
  if (!(s->sigma > 0 && s->sigma <= DBL_MAX && s->t > 0 && s->t <= DBL_MAX))
    return scope->status = invman_i_bad(scope->ctx, "diffusion entropy: sigma and t must be positive and finite");
  s->K = invman_i_doubles(scope, invman_i_mul(n, n));
  s->lambda = invman_i_doubles(scope, n);
  s->root = invman_i_doubles(scope, n);
  s->indices = (size_t *)invman_i_take(scope, n, sizeof(size_t));
  for (i = 0; s->indices && i < n; i++) s->indices[i] = i;
  return scope->status;
}

/* The entropy of the first m points; rounding's eigenvalues count as 0. */
static invman_status invman_i_diffuse(invman_i_diffusion *s, size_t m, double *bits) {
  size_t i, j;
  invman_status status;
  *bits = 0;
  if (m < 2) return INVMAN_OK;
  for (i = 0; i < m; i++) {
    double sum = 0;
    for (j = 0; j < m; j++) {
      double distant = s->D[s->indices[i] * s->n + s->indices[j]] / s->sigma;
      sum += s->K[i * m + j] = invman_i_exp(-0.5 * distant * distant);
    }
    s->root[i] = sqrt(sum);
  }
  for (i = 0; i < m; i++)
    for (j = 0; j < m; j++) s->K[i * m + j] /= s->root[i] * s->root[j];
  status = invman_eigvalsh(s->ctx, m, s->K, s->lambda);
  if (status < 0) return status;
  for (i = 1; i < m; i++) {
    double size = fabs(s->lambda[i]);
    s->lambda[i] = size > (double)m * DBL_EPSILON ? invman_i_power(size, s->t) : 0;
  }
  if (invman_i_greatest(s->lambda + 1, m - 1) > 0)
    *bits = invman_i_entropy(s->lambda + 1, m - 1) / 0.69314718055994530942;
  return status;
}

invman_status invman_diffusion_entropy(const invman_context *ctx, const double *D, size_t n, double sigma, double t,
                                       double *bits) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  invman_i_diffusion s;
  if (status < 0) return status;
  if (!bits) return invman_i_bad(ctx, "diffusion_entropy: bits is NULL");
  if (invman_i_diffusion_take(&scope, D, n, sigma, t, &s) < 0) return invman_i_close(&scope);
  scope.status = invman_i_diffuse(&s, n, bits);
  return invman_i_close(&scope);
}

/* Entropy of a random set as large as class c, on average, less that of class c. */
static invman_status invman_i_class_information(invman_i_diffusion *s, const invman_i_classes *classes, size_t c,
                                                size_t draws, invman_rng *rng, double *bits) {
  size_t size = classes->size[c], *indices = s->indices, i, draw, at = 0;
  double one = 0;
  invman_status status = INVMAN_OK;
  *bits = 0;
  for (draw = 0; draw < draws && status >= 0; draw++) {
    for (i = 0; i < size; i++) { /* the first steps of a shuffle */
      size_t j = i + invman_i_below(rng, s->n - i), swap = indices[i];
      indices[i] = indices[j];
      indices[j] = swap;
    }
    status = invman_i_diffuse(s, size, &one);
    *bits += one / (double)draws;
  }
  for (i = 0; i < s->n; i++) indices[i] = i;
  for (i = 0; i < s->n; i++)
    if (classes->of[i] == c) {
      indices[i] = indices[at];
      indices[at++] = i;
    }
  if (status >= 0) status = invman_i_diffuse(s, size, &one);
  *bits -= one;
  return status;
}

invman_status invman_diffusion_information(const invman_context *ctx, const double *D, const double *y, size_t n,
                                           double sigma, double t, size_t draws, invman_rng *rng, double *bits) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_distances(ctx, D, n);
  invman_i_diffusion s;
  invman_i_classes classes;
  invman_rng drawn;
  size_t c;
  double sum = 0, one = 0;
  if (status == INVMAN_OK)
    status = invman_i_check_matrix(ctx, y, n, 1, "diffusion_information: y is NULL or not finite");
  if (status < 0) return status;
  if (!bits || !rng) return invman_i_bad(ctx, "diffusion_information: bits or rng is NULL");
  if (invman_i_diffusion_take(&scope, D, n, sigma, t, &s) < 0) return invman_i_close(&scope);
  invman_i_classes_of(&scope, y, n, &classes);
  drawn = *rng;
  for (c = 0; c < classes.count && scope.status >= 0; c++) {
    scope.status = invman_i_class_information(&s, &classes, c, draws > 0 ? draws : 5, &drawn, &one);
    sum += (double)classes.size[c] / (double)n * one;
  }
  if (scope.status >= 0) {
    *bits = sum;
    *rng = drawn;
  }
  return invman_i_close(&scope);
}

/* ---- curvature and pieces of a network */

invman_status invman_hessian_spectrum(const invman_context *ctx, const invman_net *net, const invman_data *data,
                                      const double *g, double *rate, double *v) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_pack pack, sums;
  double *r, *norm, *value, factor, root;
  size_t n, k, d;
  invman_status status = invman_i_check_net(ctx, net);
  if (status == INVMAN_OK) status = invman_i_check_data(ctx, data);
  if (status < 0) return status;
  if (net->d != data->d) return invman_i_bad(ctx, "hessian_spectrum: the network and the points differ in d");
  if (g) status = invman_i_check_finite(ctx, g, data->n, "hessian_spectrum: g is not finite");
  if (status < 0) return status;
  d = net->d;
  pack = invman_i_pack_take(&scope, net->h, d);
  sums = invman_i_pack_take(&scope, net->h, d);
  r = invman_i_doubles(&scope, data->n);
  norm = invman_i_doubles(&scope, net->h);
  value = invman_i_doubles(&scope, d + 1);
  if (scope.status < 0) return invman_i_close(&scope);
  for (k = 0; k < data->n; k++) r[k] = (g ? g[k] : 1) * data->y[k] / (double)data->n;
  invman_i_pack_net(net, &pack);
  invman_i_gradient_points(ctx, &pack, NULL, invman_i_points_of(data->x, NULL, data->n, d), r, 0, &sums);
  factor = sqrt(2.0) / (double)net->h;
  root = sqrt((double)d);
  for (n = 0; n < net->h; n++) {
    const double *sum = invman_i_neuron(&sums, n); /* in a pack's units: of omega/sqrt(d) */
    int exponent;
    for (k = 0; k <= d; k++) value[k] = factor * (k < d ? root : 1) * sum[k * INVMAN_I_WIDTH];
    exponent = invman_i_exponent(value, d + 1);
    for (k = 0; k <= d; k++) norm[n] += ldexp(value[k], -exponent) * ldexp(value[k], -exponent);
    norm[n] = ldexp(sqrt(norm[n]), exponent);
    if (v) memcpy(v + n * (d + 1), value, (d + 1) * sizeof *v);
  }
  scope.status = invman_i_check_result(ctx, norm, net->h, "hessian_spectrum: a rate is not finite");
  if (scope.status < 0 && v) memset(v, 0, net->h * (d + 1) * sizeof *v);
  if (rate) memcpy(rate, norm, net->h * sizeof *rate);
  return invman_i_close(&scope);
}

invman_status invman_linear_regions(const invman_context *ctx, const invman_net *net, const double *a, const double *b,
                                    double *t, size_t *count) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_rows(ctx, net, a, 1, "linear_regions: a is NULL or not finite");
  double *all, root;
  int exponent;
  size_t n, crossings = 0, distinct = 0;
  if (status == INVMAN_OK) status = invman_i_check_matrix(ctx, b, net->d, 1, "linear_regions: b is NULL or not finite");
  if (status < 0) return status;
  all = invman_i_doubles(&scope, net->h);
  if (scope.status < 0) return invman_i_close(&scope);
  root = sqrt((double)net->d);
  exponent = (int)fmax(invman_i_exponent(a, net->d), invman_i_exponent(b, net->d));
  for (n = 0; n < net->h; n++) {
    const double *w = net->w + n * net->d;
    double at_a = net->b[n] + invman_i_inner(w, a, net->d) / root,
           at_b = net->b[n] + invman_i_inner(w, b, net->d) / root;
    if (!(fmin(fabs(at_a), fabs(at_b)) > 1e-250 && fmax(fabs(at_a), fabs(at_b)) <= DBL_MAX)) {
      at_a = invman_i_far_z(net, n, a, exponent, root, at_a);
      at_b = invman_i_far_z(net, n, b, exponent, root, at_b);
    }
    if (net->beta[n] != 0 && ((at_a < 0 && at_b > 0) || (at_a > 0 && at_b < 0)))
      all[crossings++] = 0.5 * at_a / (0.5 * at_a - 0.5 * at_b);
  }
  invman_i_sort(all, crossings);
  for (n = 0; n < crossings; n++)
    if (n == 0 || all[n] != all[distinct - 1]) all[distinct++] = all[n];
  if (t) memcpy(t, all, distinct * sizeof *t);
  if (count) *count = distinct;
  return invman_i_close(&scope);
}

static void invman_i_activity_bits(size_t task, void *arg) {
  const invman_i_active *s = (const invman_i_active *)arg;
  size_t i, n, end = invman_i_min((task + 1) * INVMAN_I_ACTIVE_TILE, s->n);
  double root = sqrt((double)s->net->d);
  for (i = task * INVMAN_I_ACTIVE_TILE; i < end; i++)
    for (n = 0; n < s->net->h; n++)
      if (invman_i_is_active(s->net, n, s->x + i * s->net->d, root))
        s->bits[i * s->words + n / 64] |= UINT64_C(1) << (n % 64);
}

invman_status invman_activation_patterns(const invman_context *ctx, const invman_net *net, const double *x, size_t n,
                                         size_t *patterns) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_rows(ctx, net, x, n, "activation_patterns: x is NULL, empty or not finite");
  invman_i_active s;
  size_t *table, buckets = 2, i, k, distinct = 0;
  if (status < 0) return status;
  if (!patterns) return invman_i_bad(ctx, "activation_patterns: patterns is NULL");
  memset(&s, 0, sizeof s);
  s.net = net;
  s.x = x;
  s.n = n;
  s.words = (net->h - 1) / 64 + 1;
  while (buckets < 2 * n) buckets *= 2;
  s.bits = (uint64_t *)invman_i_take(&scope, invman_i_mul(n, s.words), sizeof(uint64_t));
  table = (size_t *)invman_i_take(&scope, buckets, sizeof(size_t)); /* of patterns that are known: a point + 1 */
  if (scope.status < 0) return invman_i_close(&scope);
  invman_i_parallel(ctx, (n - 1) / INVMAN_I_ACTIVE_TILE + 1, invman_i_activity_bits, &s,
                    (double)n * (double)net->h * (double)net->d);
  for (i = 0; i < n; i++) {
    const uint64_t *bits = s.bits + i * s.words;
    uint64_t hash = 0;
    size_t slot;
    for (k = 0; k < s.words; k++) hash = invman_i_mix(hash ^ bits[k]);
    slot = (size_t)hash & (buckets - 1);
    while (table[slot] > 0 && memcmp(s.bits + (table[slot] - 1) * s.words, bits, s.words * sizeof *bits) != 0)
      slot = (slot + 1) & (buckets - 1);
    distinct += table[slot] == 0;
    if (table[slot] == 0) table[slot] = i + 1;
  }
  *patterns = distinct;
  return invman_i_close(&scope);
}

double invman_region_bound(size_t h, size_t d) {
  double term = 1, sum = 1;
  size_t j;
  for (j = 1; j <= d && j <= h && sum < DBL_MAX && term > 1e-17 * sum; j++) {
    term = term > 1e280 ? term / (double)j * (double)(h - j + 1) : term * (double)(h - j + 1) / (double)j;
    sum += term;
  }
  return sum < DBL_MAX ? sum : HUGE_VAL; /* rounded down, no sum is infinite */
}

invman_status invman_net_init_orthogonal(const invman_context *ctx, size_t h, size_t d, invman_rng *rng,
                                         invman_net *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_rng drawn;
  invman_net net;
  double *columns;
  size_t n, k;
  if (!out) return invman_i_bad(ctx, "net_init_orthogonal: out is NULL");
  memset(out, 0, sizeof *out);
  if (h < d || !rng) return invman_i_bad(ctx, "net_init_orthogonal: fewer neurons than dimensions, or rng is NULL");
  columns = invman_i_doubles(&scope, invman_i_mul(h, d));
  drawn = *rng;
  memset(&net, 0, sizeof net);
  if (scope.status == INVMAN_OK) scope.status = invman_net_init(ctx, h, d, &drawn, &net);
  if (scope.status < 0) return invman_i_close(&scope);

  for (n = 0; n < h; n++)
    for (k = 0; k < d; k++) columns[k * h + n] = net.w[n * d + k];
  if (invman_i_orthonormal_rows(columns, d, h, NULL) < d) { /* of random weights, never */
    invman_net_free(ctx, &net);
    scope.status = invman_i_bad(ctx, "net_init_orthogonal: the random weights are dependent");
    return invman_i_close(&scope);
  }
  for (n = 0; n < h; n++)
    for (k = 0; k < d; k++) net.w[n * d + k] = sqrt((double)h) * columns[k * h + n];
  *out = net;
  *rng = drawn;
  return invman_i_close(&scope);
}

/* ---- doubly stochastic mixing */

typedef struct invman_i_sinkhorn {
  const double *G;
  size_t n;
  double tau, unit;
  invman_i_wide *r, *c; /* (n) what is subtracted from G's rows and columns, in `unit`; c follows r */
  double *L;            /* (n,n) what is left, over tau */
  double *u, *v;        /* (n) what is added to L's rows, and to its columns */
  double *most, *sum;   /* (n) of a column */
  double *row;          /* (n) ln of a row's sum, without u */
  double *M;
} invman_i_sinkhorn;

enum { INVMAN_I_SINKHORN_COLUMNS = 64 };

static void invman_i_sinkhorn_row(size_t i, void *arg) {
  const invman_i_sinkhorn *s = (const invman_i_sinkhorn *)arg;
  const double *L = s->L + i * s->n;
  double most = -HUGE_VAL, sum = 0;
  size_t j;
  for (j = 0; j < s->n; j++) most = fmax(most, L[j] + s->v[j]);
  for (j = 0; j < s->n; j++) sum += invman_i_exp(L[j] + s->v[j] - most);
  s->row[i] = most + invman_i_log(sum);
}

static void invman_i_sinkhorn_columns(size_t task, void *arg) {
  const invman_i_sinkhorn *s = (const invman_i_sinkhorn *)arg;
  size_t first = task * INVMAN_I_SINKHORN_COLUMNS, end = invman_i_min(first + INVMAN_I_SINKHORN_COLUMNS, s->n), i, j;
  for (j = first; j < end; j++) {
    s->most[j] = -HUGE_VAL;
    s->sum[j] = 0;
  }
  for (i = 0; i < s->n; i++)
    for (j = first; j < end; j++) s->most[j] = fmax(s->most[j], s->L[i * s->n + j] + s->u[i]);
  for (i = 0; i < s->n; i++)
    for (j = first; j < end; j++) s->sum[j] += invman_i_exp(s->L[i * s->n + j] + s->u[i] - s->most[j]);
  for (j = first; j < end; j++) s->v[j] = -(s->most[j] + invman_i_log(s->sum[j]));
}

/* A finite logit stays finite, however small tau is: the sums of a sweep are then no NaN. */
static void invman_i_sinkhorn_logits(size_t i, void *arg) {
  const invman_i_sinkhorn *s = (const invman_i_sinkhorn *)arg;
  const double *G = s->G + i * s->n;
  size_t j;
  for (j = 0; j < s->n; j++)
    s->L[i * s->n + j] =
        G[j] >= -DBL_MAX
            ? invman_i_clamp(invman_i_less(s->unit * G[j], s->r[i], s->c[j]) / s->tau / s->unit, -1e290, 1e290)
            : -HUGE_VAL;
}

static void invman_i_sinkhorn_matrix(size_t i, void *arg) {
  const invman_i_sinkhorn *s = (const invman_i_sinkhorn *)arg;
  size_t j;
  for (j = 0; j < s->n; j++)
    s->M[i * s->n + j] = invman_i_clamp(invman_i_exp(s->L[i * s->n + j] + s->u[i] + s->v[j]), 0, 1);
}

static invman_status invman_i_check_sinkhorn(const invman_context *ctx, invman_i_sinkhorn *s) {
  size_t n = s->n, i, j;
  double most = s->tau;
  for (i = 0; i < n * n; i++) {
    if (!(s->G[i] <= DBL_MAX))
      return invman_i_fail(ctx, INVMAN_E_NONFINITE, "sinkhorn: a logit is NaN or +infinity", "element", i);
    if (s->G[i] >= -DBL_MAX) most = fmax(most, fabs(s->G[i]));
  }
  s->unit = most > 1e290 ? ldexp(1, -64) : 1; /* for sums of logits and of multiples of tau that stay finite */
  for (j = 0; j < n; j++) s->most[j] = -HUGE_VAL;
  for (i = 0; i < n; i++) {
    if (!(invman_i_greatest(s->G + i * n, n) >= -DBL_MAX))
      return invman_i_fail(ctx, INVMAN_E_ARG, "sinkhorn: a row is all -infinity", "element", i * n);
    for (j = 0; j < n; j++) s->most[j] = fmax(s->most[j], s->G[i * n + j]);
  }
  for (j = 0; j < n; j++)
    if (!(s->most[j] >= -DBL_MAX))
      return invman_i_fail(ctx, INVMAN_E_ARG, "sinkhorn: a column is all -infinity", "element", j);
  return INVMAN_OK;
}

/* r and c that leave only rounding of the logits on trees of them, breadth first from a row: what is added to rows and
   columns is then in r and c, and what is left of the other logits as if it had not been added. queue, seen: (2n) */
static void invman_i_sinkhorn_trees(const invman_i_sinkhorn *s, size_t *queue, unsigned char *seen) {
  size_t n = s->n, root, head, tail, k;
  memset(s->r, 0, 2 * n * sizeof *s->r);
  for (root = 0; root < n; root++) {
    queue[0] = root;
    for (head = 0, tail = !seen[root]; head < tail; head++) {
      size_t at = queue[head]; /* a row, or n + a column */
      seen[at] = 1;
      for (k = 0; k < n; k++) {
        size_t next = at < n ? n + k : k;
        double g = at < n ? s->G[at * n + k] : s->G[k * n + at - n];
        if (seen[next] || !(g >= -DBL_MAX)) continue;
        seen[next] = 1;
        queue[tail++] = next;
        s->r[next].high = s->unit * g - s->r[at].high;
      }
    }
  }
}

/* The largest of each row, and of each column, goes into r and c: what is left is <= 0, but for rounding. Returns its
   size. */
static double invman_i_sinkhorn_largest(const invman_i_sinkhorn *s) {
  size_t n = s->n, i, j;
  double size = 0;
  for (j = 0; j < n; j++) s->most[j] = -HUGE_VAL;
  for (i = 0; i < n; i++) {
    const double *G = s->G + i * n;
    double most = -HUGE_VAL, left;
    for (j = 0; j < n; j++)
      if (G[j] >= -DBL_MAX) most = fmax(most, invman_i_less(s->unit * G[j], s->r[i], s->c[j]));
    s->r[i] = invman_i_wide_plus(s->r[i], most);
    for (j = 0; j < n; j++) {
      if (!(G[j] >= -DBL_MAX)) continue;
      left = invman_i_less(s->unit * G[j], s->r[i], s->c[j]);
      s->most[j] = fmax(s->most[j], left);
      size = fmax(size, -left);
    }
  }
  for (j = 0; j < n; j++) s->c[j] = invman_i_wide_plus(s->c[j], s->most[j]);
  return size;
}

/* The means of rows and columns of what is left go into r and c, where there are no zeros: then all that may be added
   to rows and columns of G is gone, and the sweeps start from the same logits whatever it was. */
static void invman_i_sinkhorn_centre(const invman_i_sinkhorn *s) {
  size_t n = s->n, i, j;
  for (i = 0; i < n * n; i++)
    if (!(s->G[i] >= -DBL_MAX)) return;
  for (j = 0; j < n; j++) s->most[j] = 0;
  for (i = 0; i < n; i++) {
    double mean = 0;
    for (j = 0; j < n; j++) mean += invman_i_less(s->unit * s->G[i * n + j], s->r[i], s->c[j]) / (double)n;
    s->r[i] = invman_i_wide_plus(s->r[i], mean);
    for (j = 0; j < n; j++) s->most[j] += invman_i_less(s->unit * s->G[i * n + j], s->r[i], s->c[j]) / (double)n;
  }
  for (j = 0; j < n; j++) s->c[j] = invman_i_wide_plus(s->c[j], s->most[j]);
}

/* Where there are many zeros the largest of a row may be far from the others' in its columns: then trees do better. */
static void invman_i_sinkhorn_start(const invman_i_sinkhorn *s, size_t *queue, unsigned char *seen) {
  double size = invman_i_sinkhorn_largest(s);
  invman_i_sinkhorn_trees(s, queue, seen);
  if (2 * invman_i_sinkhorn_largest(s) >= size) {
    memset(s->r, 0, 2 * s->n * sizeof *s->r);
    (void)invman_i_sinkhorn_largest(s);
  }
  invman_i_sinkhorn_centre(s);
}

/* u and v go into r and c, which hold more digits: L + u + v is no sum of large numbers any more. */
static void invman_i_sinkhorn_absorb(const invman_context *ctx, invman_i_sinkhorn *s, double work) {
  size_t i;
  for (i = 0; i < s->n; i++) {
    s->r[i] = invman_i_wide_plus(s->r[i], -(s->unit * s->tau * s->u[i]));
    s->c[i] = invman_i_wide_plus(s->c[i], -(s->unit * s->tau * s->v[i]));
    s->u[i] = s->v[i] = 0;
  }
  invman_i_parallel(ctx, s->n, invman_i_sinkhorn_logits, s, work);
}

/* Largest |sum - 1| of a row or column */
static double invman_i_stochastic_residual(const double *M, size_t n) {
  double most = 0;
  size_t i, j;
  for (i = 0; i < n; i++) {
    double row = 0, column = 0;
    for (j = 0; j < n; j++) {
      row += M[i * n + j];
      column += M[j * n + i];
    }
    most = invman_i_worst(most, fabs(row - 1));
    most = invman_i_worst(most, fabs(column - 1));
  }
  return most;
}

/* Columns sum to 1 after a sweep, but for rounding, and rows tell how far it is from done; what is said at the end is
   measured on M. */
static invman_status invman_i_sinkhorn_sweeps(const invman_context *ctx, invman_i_sinkhorn *s, double tol,
                                              size_t max_sweeps, invman_sinkhorn_info *info) {
  enum { LARGE = 16 }; /* u or v beyond it cost digits */
  size_t blocks = (s->n - 1) / INVMAN_I_SINKHORN_COLUMNS + 1, i;
  double work = 10 * (double)s->n * (double)s->n, rows;
  int stopped, ends = 0;
  for (info->sweeps = 0;; info->sweeps++) {
    invman_i_parallel(ctx, s->n, invman_i_sinkhorn_row, s, work);
    for (i = 0, rows = 0; i < s->n; i++) rows = invman_i_worst(rows, fabs(invman_i_exp(s->row[i] + s->u[i]) - 1));
    stopped = 0;
    ends = info->sweeps > 0 && (rows < tol || info->sweeps == max_sweeps);
    if (info->sweeps > 0 && !ends && ctx && ctx->progress) stopped = ctx->progress("sinkhorn", -1, ctx->user) != 0;
    if (ends || stopped) {
      invman_i_parallel(ctx, s->n, invman_i_sinkhorn_matrix, s, work);
      info->residual = invman_i_stochastic_residual(s->M, s->n);
      if (stopped) return INVMAN_STOPPED;
      if (info->residual < tol) return INVMAN_OK;
      if (info->sweeps == max_sweeps) return INVMAN_NOT_CONVERGED;
    }
    for (i = 0; i < s->n; i++) s->u[i] = -s->row[i];
    invman_i_parallel(ctx, blocks, invman_i_sinkhorn_columns, s, work);
    if (ends || invman_i_largest(s->u, s->n) > (double)LARGE || invman_i_largest(s->v, s->n) > (double)LARGE)
      invman_i_sinkhorn_absorb(ctx, s, work);
  }
}

invman_status invman_sinkhorn(const invman_context *ctx, const double *G, size_t n, double tau, double tol,
                              size_t max_sweeps, double *M, invman_sinkhorn_info *info) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_sinkhorn s;
  invman_sinkhorn_info own;
  double *kept;
  size_t *queue;
  unsigned char *seen;
  if (!G || !M || n == 0) return invman_i_bad(ctx, "sinkhorn: G or M is NULL, or n is 0");
  if (!(tau > 0 && tau <= DBL_MAX && tol >= 0))
    return invman_i_bad(ctx, "sinkhorn: tau must be positive and finite, tol >= 0");
  if (invman_i_check_square(ctx, n, "sinkhorn: n*n overflows") < 0) return INVMAN_E_SIZE;
  memset(&s, 0, sizeof s);
  s.G = G;
  s.n = n;
  s.tau = tau;
  s.M = M;
  s.L = invman_i_doubles(&scope, n * n);
  if (M == G && (kept = invman_i_doubles(&scope, n * n)) != NULL) s.G = (double *)memcpy(kept, G, n * n * sizeof *G);
  s.r = (invman_i_wide *)invman_i_take(&scope, invman_i_mul(2, n), sizeof *s.r);
  queue = (size_t *)invman_i_take(&scope, invman_i_mul(2, n), sizeof *queue);
  seen = (unsigned char *)invman_i_take(&scope, invman_i_mul(2, n), 1);
  s.u = invman_i_doubles(&scope, n);
  s.v = invman_i_doubles(&scope, n);
  s.most = invman_i_doubles(&scope, n);
  s.sum = invman_i_doubles(&scope, n);
  s.row = invman_i_doubles(&scope, n);
  if (scope.status == INVMAN_OK) scope.status = invman_i_check_sinkhorn(ctx, &s);
  if (scope.status < 0) return invman_i_close(&scope);
  s.c = s.r + n;
  invman_i_sinkhorn_start(&s, queue, seen);
  invman_i_parallel(ctx, n, invman_i_sinkhorn_logits, &s, 10 * (double)n * (double)n);
  scope.status = invman_i_sinkhorn_sweeps(ctx, &s, invman_i_or(tol, 1e-12), max_sweeps > 0 ? max_sweeps : 10000,
                                          info ? info : &own);
  return invman_i_close(&scope);
}

invman_status invman_centred_singular_values(const invman_context *ctx, const double *M, size_t n, double *sigma) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_matrix(ctx, M, n, n, "centred_singular_values: M is NULL, empty or not finite");
  double *A, *values, unit, norm;
  size_t i;
  if (status < 0) return status;
  if (!sigma) return invman_i_bad(ctx, "centred_singular_values: sigma is NULL");
  A = invman_i_doubles(&scope, n * n);
  values = invman_i_doubles(&scope, invman_i_mul(n, 2));
  if (scope.status < 0) return invman_i_close(&scope);
  unit = invman_i_unit(M, n * n);
  for (i = 0; i < n * n; i++) A[i] = unit * M[i];
  norm = sqrt(invman_i_inner(A, A, n * n));
  if (invman_i_double_centre(&scope, A, n) < 0 || invman_i_singular_values(&scope, A, n, n, values) < 0)
    return invman_i_close(&scope);
  for (i = 0; i < n; i++) sigma[i] = i + 1 < n && values[i] > 4 * DBL_EPSILON * norm ? values[i] / unit : 0;
  scope.status = invman_i_check_result(ctx, sigma, n, "centred_singular_values: a value is not finite");
  return invman_i_close(&scope);
}

static invman_status invman_i_check_mixing(const invman_context *ctx, const double *M, size_t n) {
  invman_status status = invman_i_check_matrix(ctx, M, n, n, "mixing: M is NULL, empty or not finite");
  size_t i;
  for (i = 0; status == INVMAN_OK && i < n * n; i++)
    if (M[i] < 0) status = invman_i_fail(ctx, INVMAN_E_ARG, "mixing: an entry is negative", "element", i);
  if (status == INVMAN_OK && invman_i_stochastic_residual(M, n) > 1e-6)
    status = invman_i_bad(ctx, "mixing: a row or column does not sum to 1");
  return status;
}

invman_status invman_mixing_measures(const invman_context *ctx, const double *M, size_t n, invman_mixing *out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_status status = invman_i_check_mixing(ctx, M, n);
  double *sigma, excess = 0, most, share = 1 / (double)n;
  size_t i;
  if (status < 0) return status;
  if (!out || n < 2) return invman_i_bad(ctx, "mixing_measures: out is NULL, or n is 1");
  memset(out, 0, sizeof *out);
  sigma = invman_i_doubles(&scope, n);
  if (scope.status == INVMAN_OK) scope.status = invman_centred_singular_values(ctx, M, n, sigma);
  if (scope.status < 0) return invman_i_close(&scope);
  out->residual = invman_i_stochastic_residual(M, n);
  out->sigma_2 = fmin(sigma[0], 1 + out->residual); /* |M|_2^2 <= |M|_1 |M|_inf */
  out->least = M[0];
  for (i = 0; i < n * n; i++) {
    if (M[i] > 0) out->entropy -= M[i] * invman_i_log(M[i]);
    out->least = fmin(out->least, M[i]);
    excess += (M[i] - share) * (M[i] - share); /* |M|_F^2 - 1 */
  }
  most = (double)n * invman_i_log((double)n);
  out->entropy = invman_i_clamp(out->entropy, 0, most);
  out->share = out->entropy / most;
  out->by_least = fmax(0, 1 - (double)n * out->least);
  out->by_norm[0] = sqrt(excess / (double)(n - 1));
  out->by_norm[1] = sqrt(excess);
  out->by_entropy = sqrt(2 * fmax(0, most - out->entropy));
  return invman_i_close(&scope);
}

invman_status invman_mix_with_identity(const invman_context *ctx, double *M, size_t n, double a) {
  invman_status status = invman_i_check_matrix(ctx, M, n, n, "mix_with_identity: M is NULL, empty or not finite");
  size_t i;
  if (status < 0) return status;
  if (!(a >= 0 && a <= 1)) return invman_i_bad(ctx, "mix_with_identity: a must be in [0,1]");
  for (i = 0; i < n * n; i++) M[i] = a * M[i] + (i % (n + 1) == 0 ? 1 - a : 0);
  return INVMAN_OK;
}

/* ln(1/sigma_2): how much a layer contracts; 0 for none, infinite for all */
static double invman_i_contraction(double sigma_2) {
  return sigma_2 >= 1 - 4 * DBL_EPSILON ? 0 : sigma_2 > 0 ? -invman_i_log(sigma_2) : HUGE_VAL;
}

double invman_effective_depth(double sigma_2, double eps) {
  return eps > 0 && eps < 1 ? -invman_i_log(eps) / invman_i_contraction(sigma_2) : 0;
}

size_t invman_chain_depth(const double *sigma_2, size_t layers, double eps) {
  double product = 1;
  size_t L;
  for (L = 0; sigma_2 && L < layers; L++)
    if ((product *= sigma_2[L]) <= eps) return L + 1;
  return layers + 1;
}

void invman_layer_norm(double *v, size_t n, double eps) {
  const invman_i_wide none = {0, 0};
  invman_i_wide mean, square = {0, 0};
  double unit, root = sqrt(eps), deviation, ratio, norm;
  size_t i;
  if (!v || n == 0) return;
  unit = invman_i_unit(v, n);
  for (i = 0; i < n; i++) v[i] *= unit;
  mean = invman_i_mean(v, n);
  for (i = 0; i < n; i++) {
    v[i] = invman_i_less(v[i], mean, none);
    square = invman_i_wide_plus(square, v[i] * v[i]);
  }
  if (square.high == 0) return; /* a constant */

  /* The larger of the deviation and the root of eps is the unit of both, so that neither's square is lost. */
  deviation = sqrt(square.high / (double)n);
  if (unit * root <= deviation) {
    ratio = unit * root / deviation;
    norm = deviation * sqrt(1 + ratio * ratio);
    for (i = 0; i < n; i++) v[i] /= norm;
  } else {
    ratio = deviation / unit / root;
    norm = root * sqrt(1 + ratio * ratio);
    for (i = 0; i < n; i++) v[i] = v[i] / norm / unit;
  }
}

double invman_snr(double r, double noise, size_t n) {
  double ratio = r / noise;
  return n < 2 || r == 0 ? 0 : ratio * ratio / (double)(n - 1);
}

double invman_snr_cosine(double snr) { return snr > 1 ? 1 / sqrt(1 + 1 / snr) : snr > 0 ? sqrt(snr / (1 + snr)) : 0; }

double invman_critical_snr(double cosine) {
  return cosine >= 1 ? HUGE_VAL : cosine > 0 ? cosine * cosine / ((1 - cosine) * (1 + cosine)) : 0;
}

double invman_critical_depth(double snr_0, double cosine, double sigma_2) {
  double least = invman_critical_snr(cosine), log_least;
  if (!(snr_0 > least && sigma_2 > 0)) return 0;
  log_least = cosine > 0 && cosine < 1e-100 ? 2 * invman_i_log(cosine) : invman_i_log(least); /* the square is lost */
  return (invman_i_log(snr_0) - log_least) / (2 * invman_i_contraction(sigma_2));
}

double invman_cosine_bound(double r, double noise, size_t n, double t) {
  double m = (double)n - 2, rest = m - 2 * sqrt(m * t);
  if (n < 3 || !(t >= 0 && rest > 0 && noise > 0)) return 1;
  return fmin(1, (r / noise + sqrt(2 * t)) / sqrt(rest));
}

double invman_mode_noise(double mu, size_t layers) {
  double size = fabs(mu), gap = (1 - size) * (1 + size), power;
  if (layers < 2 || mu == 0) return layers > 0;
  if (size == 1) return (double)layers;
  power = expm1(2 * (double)layers * log(size));
  return power <= DBL_MAX ? -power / gap : HUGE_VAL;
}
#endif /* INVMAN_NO_DIAGNOSTICS */

#ifndef INVMAN_NO_CONVNET
/* ============================================================================================== >>convnet
   A lane is an image: eight images go through the network at once, every value in the network is a lanes object, and
   every weight is a scalar. Convolutions, activations and per-sample gradients therefore need neither shuffles nor sums
   across lanes. Values are stored channel by channel, a channel row by row. The stem's patches are laid out as
   channels, which turns the stem into a 1x1 convolution. */

typedef struct invman_i_conv {
  invman_convnet_layer shape;
  size_t rows, columns; /* of its input */
  int act;              /* whether the activation follows */
  int skip;             /* whether the input of its block is added */
  int kept;             /* whether its output is the input of such a block */
  double scale;         /* 1/sqrt(fan-in) */
  size_t at;            /* where its output begins, in lanes */
} invman_i_conv;

struct invman_convnet {
  invman_i_scope scope;
  invman_context context;
  invman_convnet_options options;
  size_t d, size, count; /* pixels, weights, layers */
  invman_i_conv *layer;
  double *w;
  size_t patches, outputs, plane, most; /* lanes: the stem's patches, all layers' outputs; a channel with its border;
                                           weights of a layer at most */
  double work;                          /* multiply-adds for one image */
};

enum {
  INVMAN_I_KERNEL_SIDE = 5,
  INVMAN_I_KERNEL_AREA = INVMAN_I_KERNEL_SIDE * INVMAN_I_KERNEL_SIDE,
  INVMAN_I_BORDER = INVMAN_I_KERNEL_SIDE / 2,
  INVMAN_I_BLOCK_LAYERS = 3 /* of a residual block */
};

/* ---- what the layers are */

static size_t invman_i_channels(double width) {
  double n = rint(width);
  return n < 1 ? 1 : n >= (double)(SIZE_MAX / 2) ? SIZE_MAX : (size_t)n;
}

/* Appends a layer to the network; sizes that overflow become SIZE_MAX. */
static void invman_i_add_layer(invman_convnet *net, int kind, size_t out, size_t stride, int act, int skip) {
  invman_i_conv *c = net->layer + net->count;
  const invman_i_conv *before = net->count > 0 ? c - 1 : c;
  invman_convnet_layer *s = &c->shape;
  int first = net->count++ == 0, wide = kind != INVMAN_CONV_POINTWISE;
  size_t fan_in, positions;
  c->rows = first ? net->options.height : before->shape.height;
  c->columns = first ? net->options.width : before->shape.width;
  c->act = act;
  c->skip = skip;
  c->at = net->outputs;
  s->kind = kind;
  s->in = first ? net->options.channels : before->shape.out;
  s->out = out;
  s->kernel = wide ? INVMAN_I_KERNEL_SIDE : 1;
  s->stride = stride;
  s->height = (c->rows - 1) / stride + 1;
  s->width = (c->columns - 1) / stride + 1;
  s->first = net->size;
  fan_in = invman_i_mul(kind == INVMAN_CONV_DEPTHWISE ? 1 : s->in, s->kernel * s->kernel);
  positions = invman_i_mul(s->height, s->width);
  s->weights = invman_i_mul(out, fan_in);
  c->scale = 1 / sqrt((double)fan_in);

  if (first) net->patches = invman_i_mul(fan_in, positions);
  net->size = invman_i_add(net->size, s->weights);
  net->outputs = invman_i_add(net->outputs, invman_i_mul(out, positions));
  net->most = invman_i_max(net->most, invman_i_max(s->weights, invman_i_add(out, 1)));
  net->plane = invman_i_max(net->plane, invman_i_mul(invman_i_add(c->rows, 2 * INVMAN_I_BORDER),
                                                     invman_i_add(c->columns, 2 * INVMAN_I_BORDER)));
  net->work += (double)s->weights * (double)positions;
}

static void invman_i_add_residual(invman_convnet *net, size_t out, size_t stride) {
  size_t in = net->layer[net->count - 1].shape.out, wide = invman_i_mul(3, in);
  net->layer[net->count - 1].kept = stride == 1;
  invman_i_add_layer(net, INVMAN_CONV_POINTWISE, wide, 1, 1, 0);
  invman_i_add_layer(net, INVMAN_CONV_DEPTHWISE, wide, stride, 1, 0);
  invman_i_add_layer(net, INVMAN_CONV_POINTWISE, out, 1, 0, stride == 1);
}

static void invman_i_add_layers(invman_convnet *net) {
  double h = net->options.width_factor;
  size_t stem = invman_i_channels(4 * h), i, k;
  invman_i_add_layer(net, INVMAN_CONV_DENSE, stem, 2, 1, 0);
  invman_i_add_layer(net, INVMAN_CONV_DEPTHWISE, stem, 1, 1, 0);
  invman_i_add_layer(net, INVMAN_CONV_POINTWISE, invman_i_channels(2 * h), 1, 1, 0);
  for (i = 0; i < net->options.blocks; i++)
    for (k = 0; k < net->options.layers; k++)
      invman_i_add_residual(net, invman_i_channels((double)(2 * i + 1) * h), k == 0 ? 2 : 1);
  invman_i_add_layer(net, INVMAN_CONV_POINTWISE, invman_i_channels(20 * h), 1, 1, 0);
  net->size = invman_i_add(net->size, invman_i_add(net->layer[net->count - 1].shape.out, 1));
}

static size_t invman_i_layer_count(const invman_convnet_options *o) {
  return invman_i_add(4, invman_i_mul(3, invman_i_mul(o->blocks, o->layers)));
}

static invman_status invman_i_check_convnet_options(const invman_context *ctx, invman_convnet_options *o) {
  o->width_factor = invman_i_or(o->width_factor, 10);
  if (o->blocks == 0) o->blocks = 2;
  if (o->layers == 0) o->layers = 2;
  if (o->memory == 0) o->memory = (size_t)512 << 20;
  if (o->channels == 0 || o->height == 0 || o->width == 0)
    return invman_i_bad(ctx, "convnet: channels, height and width must be 1 or more");
  if (!(o->width_factor > 0) || !invman_i_isfinite(o->width_factor))
    return invman_i_bad(ctx, "convnet: width_factor must be positive");
  return INVMAN_OK;
}

/* A network of checked options, without memory for its weights. */
static invman_status invman_i_plan_convnet(const invman_context *ctx, const invman_convnet_options *o,
                                           invman_convnet **out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_convnet *net = (invman_convnet *)invman_i_take(&scope, 1, sizeof *net);
  invman_i_conv *layer = (invman_i_conv *)invman_i_take(&scope, invman_i_layer_count(o), sizeof(invman_i_conv));
  size_t lanes;
  if (scope.status < 0) return invman_i_close(&scope);
  net->scope = scope;
  if (ctx) net->context = *ctx;
  net->scope.ctx = &net->context;
  net->options = *o;
  net->layer = layer;
  net->d = invman_i_mul(o->channels, invman_i_mul(o->height, o->width));
  invman_i_add_layers(net);
  lanes = invman_i_add(invman_i_add(net->patches, invman_i_mul(2, net->outputs)), invman_i_add(net->plane, net->most));
  if (net->d == SIZE_MAX || invman_i_mul(lanes, 2 * sizeof(invman_i_lanes)) == SIZE_MAX) net->size = SIZE_MAX;
  *out = net;
  return INVMAN_OK;
}

static invman_status invman_i_weights_take(invman_convnet *net) {
  net->w = invman_i_doubles(&net->scope, net->size);
  return net->scope.status;
}

static invman_status invman_i_make_convnet(const invman_context *ctx, const invman_convnet_options *o,
                                           invman_convnet **out) {
  invman_convnet *net;
  invman_status status = invman_i_plan_convnet(ctx, o, &net);
  if (status < 0) return status;
  status = invman_i_weights_take(net);
  if (status < 0) invman_convnet_free(net);
  else *out = net;
  return status;
}

invman_status invman_convnet_create(const invman_context *ctx, const invman_convnet_options *options, invman_rng *rng,
                                    invman_convnet **out) {
  invman_convnet_options o;
  invman_status status;
  size_t k;
  if (!out) return invman_i_bad(ctx, "convnet_create: out is NULL");
  *out = NULL;
  if (!options || !rng) return invman_i_bad(ctx, "convnet_create: options or rng is NULL");
  o = *options;
  status = invman_i_check_convnet_options(ctx, &o);
  if (status == INVMAN_OK) status = invman_i_make_convnet(ctx, &o, out);
  if (status < 0) return status;
  for (k = 0; k + 1 < (*out)->size; k++) (*out)->w[k] = invman_rng_normal(rng); /* the last one is b */
  return INVMAN_OK;
}

invman_status invman_convnet_copy(const invman_convnet *net, invman_convnet **out) {
  invman_status status;
  if (!out) return INVMAN_E_ARG;
  *out = NULL;
  if (!net) return INVMAN_E_ARG;
  status = invman_i_make_convnet(&net->context, &net->options, out);
  if (status == INVMAN_OK) memcpy((*out)->w, net->w, net->size * sizeof(double));
  return status;
}

void invman_convnet_free(invman_convnet *net) {
  invman_i_scope scope;
  if (!net) return;
  scope = net->scope;
  invman_i_close(&scope);
}

size_t invman_convnet_size(const invman_convnet *net) { return net ? net->size : 0; }
double *invman_convnet_weights(invman_convnet *net) { return net ? net->w : NULL; }
size_t invman_convnet_layers(const invman_convnet *net) { return net ? net->count : 0; }

invman_status invman_convnet_get_layer(const invman_convnet *net, size_t which, invman_convnet_layer *out) {
  if (!net || !out) return INVMAN_E_ARG;
  if (which >= net->count) return invman_i_bad(&net->context, "convnet_get_layer: no such layer");
  *out = net->layer[which].shape;
  return INVMAN_OK;
}

/* ---- the activation */

/* y = c z s and slope = c s (1 + z (1 - s)), s = 1/(1 + exp(-z)); c makes the mean square of y 1 for normal z.
   exp(-z) = 2^k exp(r): the whole part of t = 3071.5 - z/ln 2, between 2048 and 4096, is the upper 11 bits of its
   mantissa, from where a shift makes an exponent of it; exp(r), |r| < 0.35, to 2e-16 by its series. Beyond |z| = 708 s
   is 0 or 1. */
INVMAN_I_INLINE void invman_i_swish(const invman_i_lanes *z, invman_i_lanes *y, invman_i_lanes *slope, const int L) {
  static const double series[] = {
      1.0,        1.0,         1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,      1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600};
  enum { LAST = INVMAN_I_COUNT(series) - 1 };
  const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10, c = 1.6768;
  invman_i_lanes k, r, e, s;
  int i;
#define INVMAN_I_OP(piece, V, M)                                 \
  k.piece = 3071.5 - 1.44269504088896340736 * z->piece;          \
  k.piece = INVMAN_I_WHOLE(k.piece, V, M);                       \
  r.piece = 3071.0 - k.piece;                                    \
  r.piece = (r.piece * ln2_high - z->piece) + r.piece * ln2_low; \
  e.piece = series[LAST] * r.piece + series[LAST - 1];
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  INVMAN_I_UNROLL
  for (i = LAST - 2; i >= 0; i--) {
#define INVMAN_I_OP(piece, V, M) e.piece = e.piece * r.piece + series[i];
    INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  }
#define INVMAN_I_OP(piece, V, M)                                \
  e.piece = e.piece * INVMAN_I_TWO_TO(k.piece, V, M);           \
  e.piece = INVMAN_I_POSITIVE(708.0 - z->piece, e.piece, V, M); \
  s.piece = 1.0 / (1.0 + e.piece);                              \
  s.piece = INVMAN_I_POSITIVE(708.0 + z->piece, s.piece, V, M); \
  e.piece = c * s.piece;                                        \
  r.piece = e.piece * z->piece;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  invman_i_set(y, &r, L);
  if (!slope) return;
#define INVMAN_I_OP(piece, V, M) slope->piece = e.piece + r.piece * (1.0 - s.piece);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* ---- eight images on their way through the network and back */

typedef struct invman_i_pass {
  const invman_convnet *net;
  invman_i_lanes *patch; /* (in*25, positions) of the stem */
  invman_i_lanes *y;     /* outputs of all layers */
  invman_i_lanes *d;     /* dy/dz of all outputs, on the way back df/dz; NULL: f alone is wanted */
  invman_i_lanes *plane; /* a channel with its border */
  invman_i_lanes *grad;  /* a layer's gradient */
} invman_i_pass;

/* The output's element `at` from its sum: scaled, with what the block skipped, activated. */
INVMAN_I_INLINE void invman_i_finish(const invman_i_pass *p, const invman_i_conv *c, size_t at,
                                     const invman_i_lanes *sum, const int L) {
  invman_i_lanes *y = p->y + c->at + at, *slope = p->d ? p->d + c->at + at : NULL, z;
  const invman_i_lanes *skipped = c->skip ? p->y + c[-INVMAN_I_BLOCK_LAYERS].at + at : &invman_i_zero;
  double scale = c->skip ? sqrt(0.5) : 1;
  invman_i_scale(&z, c->scale, sum, L);
  if (c->act) {
    invman_i_swish(&z, y, slope, L);
    return;
  }
#define INVMAN_I_OP(piece, V, M) y->piece = scale * (z.piece + skipped->piece);
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
  if (!slope) return;
#define INVMAN_I_OP(piece, V, M) slope->piece = scale + invman_i_zero.piece;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* df/dz of element `at` of the layer before c, from its dy/dz and df/dy: the sum, scaled, and what comes by a skip. */
INVMAN_I_INLINE void invman_i_finish_back(const invman_i_pass *p, const invman_i_conv *c, size_t at,
                                          const invman_i_lanes *sum, const int L) {
  const invman_i_conv *before = c - 1;
  const invman_i_lanes *skipped = before->kept ? p->d + before[INVMAN_I_BLOCK_LAYERS].at + at : &invman_i_zero;
  invman_i_lanes *d = p->d + before->at + at;
#define INVMAN_I_OP(piece, V, M) d->piece *= c->scale * sum->piece + skipped->piece;
  INVMAN_I_LANEWISE(L, INVMAN_I_OP);
#undef INVMAN_I_OP
}

/* ---- 1x1 convolutions: sums over channels, in register tiles of ROWS channels times SPAN positions or channels */

#define INVMAN_I_CONV_ROWS(L) ((L) >= 4 ? 5 : 2)
#define INVMAN_I_CONV_SPAN(L) ((L) == 8 ? 4 : 1)

/* w x, x (channels, positions); back: df/dz of the layer before. */
INVMAN_I_INLINE void invman_i_pointwise(const invman_i_pass *p, const invman_i_conv *c, const invman_i_matrix w,
                                        const invman_i_lanes *x, const int back, const int L) {
  const int R = INVMAN_I_CONV_ROWS(L), S = INVMAN_I_CONV_SPAN(L);
  size_t positions = c->shape.height * c->shape.width, first, top, l;
  int i, j;
  for (first = 0; first < positions; first += (size_t)S)
    for (top = 0; top < w.rows; top += (size_t)R) {
      const invman_i_lanes *at = x + first;
      const double *from[INVMAN_I_CONV_ROWS(8)];
      invman_i_lanes sum[INVMAN_I_CONV_ROWS(8)][INVMAN_I_CONV_SPAN(8)];
      for (i = 0; i < R; i++) from[i] = w.at + invman_i_min(top + (size_t)i, w.rows - 1) * w.row;
      INVMAN_I_UNROLL
      for (i = 0; i < R; i++) {
        INVMAN_I_UNROLL
        for (j = 0; j < S; j++) invman_i_set(&sum[i][j], &invman_i_zero, L);
      }
      for (l = 0; l < w.columns; l++, at += positions) {
        INVMAN_I_UNROLL
        for (i = 0; i < R; i++) {
          INVMAN_I_UNROLL
          for (j = 0; j < S; j++) invman_i_add_scaled(&sum[i][j], from[i][l * w.column], at + j, L);
        }
      }
      for (i = 0; i < R && top + (size_t)i < w.rows; i++)
        for (j = 0; j < S && first + (size_t)j < positions; j++) {
          size_t to = (top + (size_t)i) * positions + first + (size_t)j;
          if (back) invman_i_finish_back(p, c, to, &sum[i][j], L);
          else invman_i_finish(p, c, to, &sum[i][j], L);
        }
    }
}

/* grad (out, in): the sum over the positions of df/dz and the input. */
INVMAN_I_INLINE void invman_i_pointwise_gradient(const invman_i_pass *p, const invman_i_conv *c,
                                                 const invman_i_lanes *x, size_t in, const int L) {
  const int R = INVMAN_I_CONV_ROWS(L), S = INVMAN_I_CONV_SPAN(L);
  size_t positions = c->shape.height * c->shape.width, out = c->shape.out, top, left, l;
  int i, j;
  for (top = 0; top < out; top += (size_t)R)
    for (left = 0; left < in; left += (size_t)S) {
      const invman_i_lanes *d[INVMAN_I_CONV_ROWS(8)], *from[INVMAN_I_CONV_SPAN(8)];
      invman_i_lanes sum[INVMAN_I_CONV_ROWS(8)][INVMAN_I_CONV_SPAN(8)];
      for (i = 0; i < R; i++) d[i] = p->d + c->at + invman_i_min(top + (size_t)i, out - 1) * positions;
      for (j = 0; j < S; j++) from[j] = x + invman_i_min(left + (size_t)j, in - 1) * positions;
      INVMAN_I_UNROLL
      for (i = 0; i < R; i++) {
        INVMAN_I_UNROLL
        for (j = 0; j < S; j++) invman_i_set(&sum[i][j], &invman_i_zero, L);
      }
      for (l = 0; l < positions; l++) {
        INVMAN_I_UNROLL
        for (i = 0; i < R; i++) {
          INVMAN_I_UNROLL
          for (j = 0; j < S; j++) invman_i_add_product(&sum[i][j], d[i] + l, from[j] + l, L);
        }
      }
      for (i = 0; i < R && top + (size_t)i < out; i++)
        for (j = 0; j < S && left + (size_t)j < in; j++) {
          size_t to = (top + (size_t)i) * in + left + (size_t)j;
          invman_i_scale(p->grad + to, c->scale, &sum[i][j], L);
        }
    }
}

/* ---- depthwise convolutions: a channel at a time, copied with a border of zeros */

#define INVMAN_I_CONV_RUN(L) ((L) == 8 ? 8 : (L) == 4 ? 4 : 2) /* neighbours whose sums are in registers */

static void invman_i_frame(invman_i_lanes *plane, const invman_i_lanes *channel, size_t rows, size_t columns) {
  const size_t b = INVMAN_I_BORDER, stride = columns + 2 * b;
  size_t i;
  memset(plane, 0, b * stride * sizeof *plane);
  for (i = 0; i < rows; i++) {
    invman_i_lanes *row = plane + (i + b) * stride;
    memset(row, 0, b * sizeof *row);
    memcpy(row + b, channel + i * columns, columns * sizeof *row);
    memset(row + b + columns, 0, b * sizeof *row);
  }
  memset(plane + (rows + b) * stride, 0, b * stride * sizeof *plane);
}

/* sum[j] = sum_uv tap[u][v] x[u][j*step + v] */
INVMAN_I_INLINE void invman_i_correlate(invman_i_lanes *sum, const double *tap, size_t high, size_t wide,
                                        const invman_i_lanes *x, size_t stride, const size_t step, const int L) {
  const int J = INVMAN_I_CONV_RUN(L);
  size_t u, v;
  int j;
  INVMAN_I_UNROLL
  for (j = 0; j < J; j++) invman_i_set(&sum[j], &invman_i_zero, L);
  for (u = 0; u < high; u++)
    for (v = 0; v < wide; v++) {
      INVMAN_I_UNROLL
      for (j = 0; j < J; j++) invman_i_add_scaled(&sum[j], tap[u * wide + v], x + u * stride + v + (size_t)j * step, L);
    }
}

INVMAN_I_INLINE void invman_i_depthwise(const invman_i_pass *p, const invman_i_conv *c, const invman_i_lanes *x,
                                        const int L) {
  const size_t J = INVMAN_I_CONV_RUN(L), step = c->shape.stride;
  size_t rows = c->shape.height, columns = c->shape.width, stride = c->columns + 2 * INVMAN_I_BORDER, k, i, j, l;
  for (k = 0; k < c->shape.out; k++) {
    const double *w = p->net->w + c->shape.first + k * INVMAN_I_KERNEL_AREA;
    invman_i_frame(p->plane, x + k * c->rows * c->columns, c->rows, c->columns);
    for (i = 0; i < rows; i++)
      for (j = 0; j < columns; j += J) {
        invman_i_lanes sum[INVMAN_I_CONV_RUN(8)];
        const invman_i_lanes *from = p->plane + (i * stride + j) * step;
        if (step == 1) invman_i_correlate(sum, w, INVMAN_I_KERNEL_SIDE, INVMAN_I_KERNEL_SIDE, from, stride, 1, L);
        else invman_i_correlate(sum, w, INVMAN_I_KERNEL_SIDE, INVMAN_I_KERNEL_SIDE, from, stride, 2, L);
        for (l = 0; l < J && j + l < columns; l++) invman_i_finish(p, c, (k * rows + i) * columns + j + l, &sum[l], L);
      }
  }
}

/* The taps that reach the rows (or columns) i, i + step, .. of the input: kernel[last], kernel[last - step], .., and
   where in the framed output the first of them finds row i's. */
typedef struct invman_i_phase {
  size_t taps, last, origin;
} invman_i_phase;

static invman_i_phase invman_i_phase_of(size_t i, size_t step) {
  invman_i_phase phase;
  size_t first = (i + INVMAN_I_BORDER) % step;
  phase.taps = (INVMAN_I_KERNEL_SIDE - 1 - first) / step + 1;
  phase.last = first + (phase.taps - 1) * step;
  phase.origin = (i + 2 * INVMAN_I_BORDER * step + INVMAN_I_BORDER - phase.last) / step - INVMAN_I_BORDER;
  return phase;
}

/* df/dz of the layer before, from the framed df/dz of this one. */
INVMAN_I_INLINE void invman_i_depthwise_back(const invman_i_pass *p, const invman_i_conv *c, const int L) {
  const size_t J = INVMAN_I_CONV_RUN(L), step = c->shape.stride;
  size_t rows = c->shape.height, columns = c->shape.width, stride = columns + 2 * INVMAN_I_BORDER, k, i, j, l, u, v;
  size_t side;
  for (k = 0; k < c->shape.out; k++) {
    const double *w = p->net->w + c->shape.first + k * INVMAN_I_KERNEL_AREA;
    invman_i_frame(p->plane, p->d + c->at + k * rows * columns, rows, columns);
    for (i = 0; i < c->rows; i++)
      for (side = 0; side < step; side++) {
        invman_i_phase y = invman_i_phase_of(i, step), x = invman_i_phase_of(side, step);
        double tap[INVMAN_I_KERNEL_AREA];
        for (u = 0; u < y.taps; u++)
          for (v = 0; v < x.taps; v++)
            tap[u * x.taps + v] = w[(y.last - u * step) * INVMAN_I_KERNEL_SIDE + x.last - v * step];
        for (j = 0; j * step + side < c->columns; j += J) {
          invman_i_lanes sum[INVMAN_I_CONV_RUN(8)];
          invman_i_correlate(sum, tap, y.taps, x.taps, p->plane + y.origin * stride + x.origin + j, stride, 1, L);
          for (l = 0; l < J && (j + l) * step + side < c->columns; l++)
            invman_i_finish_back(p, c, (k * c->rows + i) * c->columns + (j + l) * step + side, &sum[l], L);
        }
      }
  }
}

/* grad (out, 25): the sum over the positions of df/dz and the framed input, for as many rows of the kernel at a time
   as there are registers. */
INVMAN_I_INLINE void invman_i_depthwise_gradient(const invman_i_pass *p, const invman_i_conv *c,
                                                 const invman_i_lanes *x, const int L) {
  const int U = L == 8 ? INVMAN_I_KERNEL_SIDE : 1, V = INVMAN_I_KERNEL_SIDE;
  size_t rows = c->shape.height, columns = c->shape.width, stride = c->columns + 2 * INVMAN_I_BORDER, k, i, j, top;
  size_t step = c->shape.stride;
  int u, v;
  for (k = 0; k < c->shape.out; k++) {
    const invman_i_lanes *d = p->d + c->at + k * rows * columns;
    invman_i_lanes *to = p->grad + k * INVMAN_I_KERNEL_AREA;
    invman_i_frame(p->plane, x + k * c->rows * c->columns, c->rows, c->columns);
    for (top = 0; top < INVMAN_I_KERNEL_SIDE; top += (size_t)U) {
      invman_i_lanes sum[INVMAN_I_KERNEL_SIDE][INVMAN_I_KERNEL_SIDE];
      INVMAN_I_UNROLL
      for (u = 0; u < U; u++) {
        INVMAN_I_UNROLL
        for (v = 0; v < V; v++) invman_i_set(&sum[u][v], &invman_i_zero, L);
      }
      for (i = 0; i < rows; i++)
        for (j = 0; j < columns; j++) {
          const invman_i_lanes *from = p->plane + (i * step + top) * stride + j * step, *g = d + i * columns + j;
          INVMAN_I_UNROLL
          for (u = 0; u < U; u++) {
            INVMAN_I_UNROLL
            for (v = 0; v < V; v++) invman_i_add_product(&sum[u][v], g, from + (size_t)u * stride + (size_t)v, L);
          }
        }
      for (u = 0; u < U; u++)
        for (v = 0; v < V; v++) {
          size_t tap = (top + (size_t)u) * INVMAN_I_KERNEL_SIDE + (size_t)v;
          invman_i_scale(to + tap, c->scale, &sum[u][v], L);
        }
    }
  }
}

/* ---- all layers */

/* The weights (out, fan in) of a convolution that is no depthwise one. */
static invman_i_matrix invman_i_conv_matrix(const invman_convnet *net, const invman_i_conv *c) {
  size_t fan_in = c->shape.weights / c->shape.out;
  return invman_i_plain(net->w + c->shape.first, c->shape.out, fan_in, fan_in);
}

INVMAN_I_INLINE void invman_i_layers_forth(const invman_i_pass *p, const int L) {
  const invman_convnet *net = p->net;
  const invman_i_lanes *x = p->patch;
  size_t l;
  for (l = 0; l < net->count; x = p->y + net->layer[l++].at) {
    const invman_i_conv *c = net->layer + l;
    if (c->shape.kind != INVMAN_CONV_DEPTHWISE) invman_i_pointwise(p, c, invman_i_conv_matrix(net, c), x, 0, L);
    else invman_i_depthwise(p, c, x, L);
  }
}

/* The gradient of layer l into p->grad. */
INVMAN_I_INLINE void invman_i_layer_gradient(const invman_i_pass *p, size_t l, const int L) {
  const invman_i_conv *c = p->net->layer + l;
  const invman_i_lanes *x = l > 0 ? p->y + c[-1].at : p->patch;
  if (c->shape.kind != INVMAN_CONV_DEPTHWISE) invman_i_pointwise_gradient(p, c, x, c->shape.weights / c->shape.out, L);
  else invman_i_depthwise_gradient(p, c, x, L);
}

/* df/dz of layer l - 1 from that of layer l. */
INVMAN_I_INLINE void invman_i_layer_back(const invman_i_pass *p, size_t l, const int L) {
  const invman_i_conv *c = p->net->layer + l;
  if (c->shape.kind != INVMAN_CONV_DEPTHWISE)
    invman_i_pointwise(p, c, invman_i_transposed(invman_i_conv_matrix(p->net, c)), p->d + c->at, 1, L);
  else invman_i_depthwise_back(p, c, L);
}

/* The stem's patches of images first.., (in*25, positions); beyond the last image that one again. */
static void invman_i_lay_patches(const invman_i_pass *p, const double *x, size_t n, size_t first) {
  const invman_i_conv *c = p->net->layer;
  size_t rows = c->rows, columns = c->columns, k, u, v, i, j, lane;
  invman_i_lanes *to = p->patch;
  for (k = 0; k < c->shape.in; k++)
    for (u = 0; u < INVMAN_I_KERNEL_SIDE; u++)
      for (v = 0; v < INVMAN_I_KERNEL_SIDE; v++)
        for (i = 0; i < c->shape.height; i++)
          for (j = 0; j < c->shape.width; j++, to++) {
            size_t row = i * c->shape.stride + u - INVMAN_I_BORDER, column = j * c->shape.stride + v - INVMAN_I_BORDER;
            int inside = row < rows && column < columns; /* below 0 wraps around */
            for (lane = 0; lane < INVMAN_I_WIDTH; lane++) {
              size_t image = invman_i_min(first + lane, n - 1);
              to->d[lane] = inside ? x[image * p->net->d + (k * rows + row) * columns + column] : 0;
            }
          }
}

/* ---- many images: strips of groups of eight, each strip with a pass of its own */

enum { INVMAN_I_CONV_EVAL, INVMAN_I_CONV_SUM, INVMAN_I_CONV_ROWS_OF_J };
/* Strips where there are few groups, and groups in a strip where there are many: fresh memory costs as much as a
   group's work. Lanes that register tiles read beyond an end. */
enum { INVMAN_I_CONV_STRIPS = 8, INVMAN_I_CONV_GROUPS = 8, INVMAN_I_CONV_SPARE = 16 };

typedef struct invman_i_conv_job {
  const invman_convnet *net;
  int what; /* f, a weighted sum of gradients, or rows of J */
  int part; /* INVMAN_NTK_..: of J the columns first..first+width-1 */
  size_t first, width;
  const double *x, *r; /* (n,d), (n) */
  size_t n, groups, strips;
  double *out; /* f (n), sums (strips,N), or rows (n,width) */
  invman_i_lanes *scratch;
  size_t room; /* lanes for a strip */
} invman_i_conv_job;

/* The gradient of weights first..first+count-1, which is in p->grad, to where the job wants it. */
static void invman_i_store_gradient(const invman_i_pass *p, const invman_i_conv_job *job, size_t strip, size_t group,
                                    size_t first, size_t count) {
  size_t lane, lanes = invman_i_min(INVMAN_I_WIDTH, job->n - group * INVMAN_I_WIDTH), k;
  if (job->what == INVMAN_I_CONV_SUM) {
    double *sum = job->out + strip * job->width + first;
    for (k = 0; k < count; k++) sum[k] += invman_i_sum_lanes(p->grad + k);
    return;
  }
  for (lane = 0; lane < lanes; lane++) {
    double *row = job->out + (group * INVMAN_I_WIDTH + lane) * job->width + (first - job->first);
    for (k = 0; k < count; k++) row[k] = p->grad[k].d[lane];
  }
}

/* The means over the head's positions, f, and the way back as far as the head's df/dz; whether there is more to do. */
INVMAN_I_INLINE int invman_i_classify(const invman_i_pass *p, const invman_i_conv_job *job, size_t strip, size_t group,
                                      const int L) {
  const invman_convnet *net = p->net;
  const invman_i_conv *head = net->layer + net->count - 1;
  size_t channels = head->shape.out, positions = head->shape.height * head->shape.width, lane, k, i;
  size_t first = net->size - channels - 1, image = group * INVMAN_I_WIDTH;
  const double *w = net->w + first;
  invman_i_lanes f, r, *mean = p->grad;
  double share = job->part == INVMAN_NTK_HIDDEN ? 1 / sqrt((double)channels) : 1 / (double)channels;
  invman_i_set(&r, &invman_i_zero, L);
  for (lane = 0; lane < INVMAN_I_WIDTH; lane++) {
    f.d[lane] = w[channels];
    r.d[lane] = !job->r ? 1 : image + lane < job->n ? job->r[image + lane] : 0;
  }
  for (k = 0; k < channels; k++) {
    const invman_i_lanes *y = p->y + head->at + k * positions;
    invman_i_set(&mean[k], &invman_i_zero, L);
    for (i = 0; i < positions; i++) invman_i_add_scaled(&mean[k], share / (double)positions, y + i, L);
    invman_i_add_scaled(&f, w[k], &mean[k], L);
    invman_i_multiply(&mean[k], &mean[k], &r, L);
  }
  if (job->what == INVMAN_I_CONV_EVAL) {
    for (lane = 0; lane < INVMAN_I_WIDTH && image + lane < job->n; lane++) job->out[image + lane] = f.d[lane];
    return 0;
  }
  mean[channels] = r;
  if (job->part == INVMAN_NTK_HIDDEN) invman_i_store_gradient(p, job, strip, group, 0, channels);
  else if (job->part != INVMAN_NTK_FIRST_LAYER) invman_i_store_gradient(p, job, strip, group, first, channels + 1);
  if (!p->d) return 0;
  for (k = 0; k < channels; k++)
    for (i = 0; i < positions; i++) {
      invman_i_lanes *d = p->d + head->at + k * positions + i;
      invman_i_scale(d, w[k] * share / (double)positions, d, L);
      invman_i_multiply(d, d, &r, L);
    }
  return 1;
}

INVMAN_I_INLINE void invman_i_conv_strip_body(size_t strip, void *arg, const int L) {
  const invman_i_conv_job *job = (const invman_i_conv_job *)arg;
  const invman_convnet *net = job->net;
  size_t each = (job->groups + job->strips - 1) / job->strips, group, l;
  size_t end = invman_i_min((strip + 1) * each, job->groups);
  int back = job->what != INVMAN_I_CONV_EVAL && job->part < INVMAN_NTK_LAST_LAYER;
  invman_i_pass p;
  p.net = net;
  p.patch = job->scratch + strip * job->room;
  p.y = p.patch + net->patches;
  p.grad = p.y + net->outputs;
  p.plane = p.grad + net->most;
  p.d = back ? p.plane + net->plane + INVMAN_I_CONV_SPARE : NULL;
  for (group = strip * each; group < end; group++) {
    invman_i_lay_patches(&p, job->x, job->n, group * INVMAN_I_WIDTH);
    invman_i_layers_forth(&p, L);
    if (!invman_i_classify(&p, job, strip, group, L)) continue;
    for (l = net->count; l-- > 0;) {
      const invman_convnet_layer *s = &net->layer[l].shape;
      if (s->first < job->first + job->width) {
        invman_i_layer_gradient(&p, l, L);
        invman_i_store_gradient(&p, job, strip, group, s->first, s->weights);
      }
      if (l > 0) invman_i_layer_back(&p, l, L);
    }
  }
}
INVMAN_I_KERNEL(invman_i_conv_strip)

/* The conditions that all jobs set on their network and images. */
static invman_status invman_i_check_images(const invman_convnet *net, const double *x, size_t n, const void *out) {
  const invman_context *ctx;
  invman_status status;
  if (!net) return INVMAN_E_ARG;
  ctx = &net->context;
  if (!x || !out) return invman_i_bad(ctx, "convnet: x or the output is NULL");
  if (invman_i_mul(invman_i_mul(n, invman_i_max(net->d, net->size)), sizeof(double)) == SIZE_MAX)
    return invman_i_fail(ctx, INVMAN_E_SIZE, "convnet: sizes too large: their product overflows", "", 0);
  status = invman_i_check_finite(ctx, net->w, net->size, "convnet: a weight is not finite");
  if (status == INVMAN_OK) status = invman_i_check_finite(ctx, x, n * net->d, "convnet: an image is not finite");
  return status;
}

/* A job and its memory, for up to n images at a time. */
static invman_i_conv_job invman_i_job_take(invman_i_scope *scope, const invman_convnet *net, int what, int part,
                                           size_t n) {
  size_t head = net->layer[net->count - 1].shape.out, groups = (n + INVMAN_I_WIDTH - 1) / INVMAN_I_WIDTH, share;
  int back = what != INVMAN_I_CONV_EVAL && part < INVMAN_NTK_LAST_LAYER;
  invman_i_conv_job job;
  memset(&job, 0, sizeof job);
  job.net = net;
  job.what = what;
  job.part = part;
  job.first = part == INVMAN_NTK_LAST_LAYER ? net->size - head - 1 : 0;
  job.width = part == INVMAN_NTK_ALL           ? net->size
              : part == INVMAN_NTK_FIRST_LAYER ? net->layer[0].shape.weights
              : part == INVMAN_NTK_LAST_LAYER  ? head + 1
                                               : head;
  job.room = net->patches + net->outputs + net->most + net->plane + INVMAN_I_CONV_SPARE;
  if (back) job.room += net->outputs + INVMAN_I_CONV_SPARE;
  share = net->options.memory / 4 / sizeof(invman_i_lanes) / job.room;
  job.strips = invman_i_min(groups, invman_i_max(INVMAN_I_CONV_STRIPS, groups / INVMAN_I_CONV_GROUPS));
  job.strips = invman_i_min(job.strips, invman_i_max(share, 1));
  job.scratch =
      (invman_i_lanes *)invman_i_take_unset(scope, invman_i_mul(job.strips, job.room), sizeof(invman_i_lanes));
  return job;
}

static void invman_i_run_job(invman_i_conv_job *job, const double *x, size_t n, double *out) {
  const invman_context *ctx = &job->net->context;
  invman_i_conv_job run = *job;
  size_t each;
  run.x = x;
  run.n = n;
  run.out = out;
  run.groups = (n + INVMAN_I_WIDTH - 1) / INVMAN_I_WIDTH;
  each = (run.groups + job->strips - 1) / job->strips;
  run.strips = (run.groups + each - 1) / each;
  invman_i_parallel(ctx, run.strips, invman_i_conv_strip(ctx), &run, job->net->work * (double)n);
}

/* Unchecked, here and below: a flow looks at what it gets itself, and makes its step shorter. */
static invman_status invman_i_convnet_f(const invman_convnet *net, const double *x, size_t n, double *f) {
  invman_status status = invman_i_check_images(net, x, n, f);
  invman_i_scope scope;
  invman_i_conv_job job;
  if (status < 0 || n == 0) return status;
  scope = invman_i_open(&net->context);
  job = invman_i_job_take(&scope, net, INVMAN_I_CONV_EVAL, INVMAN_NTK_ALL, n);
  if (scope.status == INVMAN_OK) invman_i_run_job(&job, x, n, f);
  return invman_i_close(&scope);
}

invman_status invman_convnet_eval(const invman_convnet *net, const double *x, size_t n, double *f) {
  invman_status status = invman_i_convnet_f(net, x, n, f);
  return status < 0 ? status : invman_i_check_result(&net->context, f, n, "convnet_eval: f is not finite");
}

invman_status invman_convnet_jacobian(const invman_convnet *net, const double *x, size_t n, double *J) {
  invman_status status = invman_i_check_images(net, x, n, J);
  invman_i_scope scope;
  invman_i_conv_job job;
  if (status < 0 || n == 0) return status;
  scope = invman_i_open(&net->context);
  job = invman_i_job_take(&scope, net, INVMAN_I_CONV_ROWS_OF_J, INVMAN_NTK_ALL, n);
  if (scope.status == INVMAN_OK) {
    invman_i_run_job(&job, x, n, J);
    scope.status = invman_i_check_result(&net->context, J, n * net->size, "convnet_jacobian: J is not finite");
  }
  return invman_i_close(&scope);
}

static invman_status invman_i_convnet_sum(const invman_convnet *net, const double *x, size_t n, const double *r,
                                          double *grad) {
  invman_status status = invman_i_check_images(net, x, n, grad);
  invman_i_scope scope;
  invman_i_conv_job job;
  double *sum;
  size_t s, k;
  if (status < 0) return status;
  if (!r) return invman_i_bad(&net->context, "convnet_gradient: r is NULL");
  status = invman_i_check_finite(&net->context, r, n, "convnet_gradient: r is not finite");
  if (status < 0) return status;
  scope = invman_i_open(&net->context);
  job = invman_i_job_take(&scope, net, INVMAN_I_CONV_SUM, INVMAN_NTK_ALL, n);
  sum = invman_i_doubles(&scope, invman_i_mul(job.strips, net->size));
  if (scope.status < 0) return invman_i_close(&scope);
  job.r = r;
  if (n > 0) invman_i_run_job(&job, x, n, sum);
  for (k = 0; k < net->size; k++) grad[k] = 0;
  for (s = 0; s < job.strips; s++)
    for (k = 0; k < net->size; k++) grad[k] += sum[s * net->size + k];
  return invman_i_close(&scope);
}

invman_status invman_convnet_gradient(const invman_convnet *net, const double *x, size_t n, const double *r,
                                      double *grad) {
  invman_status status = invman_i_convnet_sum(net, x, n, r, grad);
  if (status < 0) return status;
  return invman_i_check_result(&net->context, grad, net->size, "convnet_gradient: the gradient is not finite");
}

/* ---- Gram matrices */

static int invman_i_gram_stopped(invman_i_scope *scope, const invman_convnet *net, size_t done, size_t all) {
  const invman_context *ctx = &net->context;
  int stop = ctx->progress && ctx->progress("convnet_ntk_gram", (double)done / (double)all, ctx->user);
  if (stop) scope->status = INVMAN_STOPPED;
  return stop;
}

static invman_status invman_i_convnet_products(const invman_convnet *net, int part, const double *x, size_t n,
                                               const double *z, size_t m, double *K) {
  invman_status status = invman_i_check_images(net, x, n, K);
  size_t fit, high, wide, i, j, k, columns = z ? m : n;
  const double *other = z ? z : x;
  invman_i_scope scope;
  invman_i_conv_job job;
  invman_i_gemm gemm;
  double *J[2];
  if (status == INVMAN_OK && z) status = invman_i_check_images(net, z, m, K);
  if (status < 0) return status;
  if (part < INVMAN_NTK_ALL || part > INVMAN_NTK_HIDDEN)
    return invman_i_bad(&net->context, "convnet_ntk_gram: unknown part");
  if (invman_i_mul(invman_i_mul(n, columns), sizeof(double)) == SIZE_MAX)
    return invman_i_fail(&net->context, INVMAN_E_SIZE, "convnet_ntk_gram: sizes too large: their product overflows", "",
                         0);
  if (n == 0 || columns == 0) return INVMAN_OK;

  /* Rows of J for `high` images of x and `wide` ones of z, or of x again where it does not fit as a whole. */
  scope = invman_i_open(&net->context);
  job = invman_i_job_take(&scope, net, INVMAN_I_CONV_ROWS_OF_J, part, invman_i_max(n, columns));
  fit = net->options.memory / 4 * 3 / sizeof(double) / job.width / INVMAN_I_WIDTH * INVMAN_I_WIDTH;
  fit = invman_i_max(fit, 2 * INVMAN_I_WIDTH);
  wide = !z && n <= fit ? 0 : invman_i_min(columns, invman_i_max(INVMAN_I_WIDTH, fit / 64 * INVMAN_I_WIDTH));
  high = invman_i_min(n, fit - wide);
  if (wide > 0) wide = invman_i_min(columns, fit - high);
  J[0] = (double *)invman_i_take_unset(&scope, invman_i_mul(high, job.width), sizeof(double));
  J[1] = (double *)invman_i_take_unset(&scope, invman_i_mul(wide, job.width), sizeof(double));
  gemm = invman_i_gemm_reserve(&scope, high, invman_i_max(high, wide));
  if (scope.status < 0) return invman_i_close(&scope);

  for (i = 0; i < n * columns; i++) K[i] = 0;
  for (i = 0; i < n; i += high) {
    size_t rows = invman_i_min(high, n - i);
    invman_i_matrix A = invman_i_plain(J[0], rows, job.width, job.width);
    if (invman_i_gram_stopped(&scope, net, i * columns, n * columns)) return invman_i_close(&scope);
    invman_i_run_job(&job, x + i * net->d, rows, J[0]);
    if (!z) invman_i_product_add(&net->context, &gemm, 1, A, invman_i_transposed(A), K + i * n + i, n, 1);
    for (j = z ? 0 : i + rows; j < columns; j += wide) {
      size_t across = invman_i_min(wide, columns - j);
      invman_i_matrix B = invman_i_plain(J[1], across, job.width, job.width);
      if (invman_i_gram_stopped(&scope, net, i * columns + rows * j, n * columns)) return invman_i_close(&scope);
      invman_i_run_job(&job, other + j * net->d, across, J[1]);
      invman_i_product_add(&net->context, &gemm, 1, A, invman_i_transposed(B), K + i * columns + j, columns, 0);
    }
  }
  for (i = 0; !z && i < n; i++)
    for (k = 0; k < i; k++) K[i * n + k] = K[k * n + i];
  return invman_i_close(&scope);
}

invman_status invman_convnet_ntk_gram(const invman_convnet *net, int part, const double *x, size_t n, const double *z,
                                      size_t m, double *K) {
  invman_status status = invman_i_convnet_products(net, part, x, n, z, m, K);
  if (status != INVMAN_OK) return status;
  return invman_i_check_result(&net->context, K, n * (z ? m : n), "convnet_ntk_gram: the kernel is not finite");
}

/* ---- as a model under the flow */

static invman_status invman_i_convnet_evaluate(const double *x, size_t n, double *f, void *user) {
  return invman_i_convnet_f((const invman_convnet *)user, x, n, f);
}

static invman_status invman_i_convnet_push(const double *x, size_t n, const double *r, double *G, void *user) {
  return invman_i_convnet_sum((const invman_convnet *)user, x, n, r, G);
}

static invman_status invman_i_convnet_gram(const double *x, size_t n, double *K, void *user) {
  invman_convnet quiet = *(const invman_convnet *)user;
  quiet.context.progress = NULL;
  return invman_i_convnet_products(&quiet, INVMAN_NTK_ALL, x, n, NULL, 0, K);
}

invman_model invman_convnet_model(invman_convnet *net) {
  invman_model model;
  memset(&model, 0, sizeof model);
  model.size = invman_convnet_size(net);
  model.weights = invman_convnet_weights(net);
  model.evaluate = invman_i_convnet_evaluate;
  model.gradient = invman_i_convnet_push;
  model.gram = invman_i_convnet_gram;
  model.user = net;
  return model;
}
#endif /* INVMAN_NO_CONVNET */

#ifndef INVMAN_NO_IO
/* =================================================================================================== >>io
   Files are read whole, and checked before memory is taken for the sizes they state. They are written under another
   name and then renamed. */

/* ---- why a file cannot be read or written: what, or "what: why", each a static text */

#define INVMAN_I_REASONS(what, absent)                                                                     \
  {                                                                                                        \
    what, what ": " absent, what ": permission is denied", what ": the name is a directory's",             \
        what ": a part of its path is no directory", what ": the disk is full", what ": it is too large",  \
        what ": its name is too long", what ": too many symbolic links", what ": the disk is read-only",   \
        what ": too many files are open", what ": nothing reads it", what ": it is held by other programs" \
  }
static const char *const invman_i_cannot_read[] = INVMAN_I_REASONS("the file cannot be read", "there is no such file");
static const char *const invman_i_cannot_create[] =
    INVMAN_I_REASONS("the file cannot be created", "there is no such directory");
static const char *const invman_i_cannot_write[] =
    INVMAN_I_REASONS("the file cannot be written", "there is no such directory");

static size_t invman_i_reason(int error) { /* the place of errno's value in the lists above */
  static const int errors[][2] = {
      {ENOENT, 1},       {EACCES, 2}, {EPERM, 2},   {EISDIR, 3},  {ENOTDIR, 4}, {ENOSPC, 5}, {EFBIG, 6},
      {ENAMETOOLONG, 7}, {EROFS, 9},  {EMFILE, 10}, {ENFILE, 10}, {EPIPE, 11},  {EBUSY, 12},
#ifdef EDQUOT
      {EDQUOT, 5},
#endif
#ifdef ELOOP
      {ELOOP, 8},
#endif
  };
  size_t k;
  for (k = 0; k < INVMAN_I_COUNT(errors); k++)
    if (errors[k][0] == error) return (size_t)errors[k][1];
  return 0;
}

/* ---- the system: what C itself cannot do with files. Paths are strings of its letters. */

enum { INVMAN_I_ABSENT, INVMAN_I_PLAIN, INVMAN_I_DIRECTORY, INVMAN_I_DEVICE };

#if defined(_WIN32)

/* As <windows.h> declares them, which would bring thousands of names. */
#ifdef __cplusplus
extern "C" {
#endif
struct _SECURITY_ATTRIBUTES;
__declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned, unsigned long, const char *, int, wchar_t *, int);
__declspec(dllimport) void *__stdcall CreateFileW(const wchar_t *, unsigned long, unsigned long,
                                                  struct _SECURITY_ATTRIBUTES *, unsigned long, unsigned long, void *);
__declspec(dllimport) unsigned long __stdcall GetFileType(void *);
__declspec(dllimport) unsigned long __stdcall GetFinalPathNameByHandleW(void *, wchar_t *, unsigned long,
                                                                        unsigned long);
__declspec(dllimport) int __stdcall CloseHandle(void *);
__declspec(dllimport) unsigned long __stdcall GetFileAttributesW(const wchar_t *);
__declspec(dllimport) int __stdcall MoveFileExW(const wchar_t *, const wchar_t *, unsigned long);
__declspec(dllimport) unsigned long __stdcall GetCurrentProcessId(void);
__declspec(dllimport) unsigned long __stdcall GetLastError(void);
__declspec(dllimport) void __stdcall Sleep(unsigned long);
#ifdef __cplusplus
}
#endif

typedef wchar_t invman_i_letter;
#define INVMAN_I_IS_SEPARATOR(letter) ((letter) == '/' || (letter) == '\\' || (letter) == ':')

/* A path in UTF-8, or in the system's code page where it is not valid UTF-8. */
static wchar_t *invman_i_wide_path(invman_i_scope *scope, const char *path) {
  unsigned page = 65001;    /* CP_UTF8 */
  unsigned long strict = 8; /* MB_ERR_INVALID_CHARS */
  int n = MultiByteToWideChar(page, strict, path, -1, NULL, 0);
  wchar_t *wide;
  if (n <= 0) {
    page = 0; /* CP_ACP */
    strict = 0;
    n = MultiByteToWideChar(page, strict, path, -1, NULL, 0);
  }
  wide = n > 0 ? (wchar_t *)invman_i_take(scope, (size_t)n, sizeof *wide) : NULL;
  errno = ENOENT;
  if (wide) MultiByteToWideChar(page, strict, path, -1, wide, n);
  return wide;
}

static FILE *invman_i_open_to_read(invman_i_scope *scope, const char *path) {
  wchar_t *wide = invman_i_wide_path(scope, path);
  return wide ? _wfopen(wide, L"rb") : NULL;
}

/* The file that a path names in the end, and what stands there. */
static wchar_t *invman_i_follow(invman_i_scope *scope, const char *path, int *kind) {
  wchar_t *wide = invman_i_wide_path(scope, path), *last;
  void *handle;
  unsigned long attributes, n;
  *kind = INVMAN_I_DEVICE;
  if (!wide || wcsncmp(wide, L"\\\\.\\", 4) == 0) return wide;
  *kind = INVMAN_I_ABSENT;
  handle = CreateFileW(wide, 0, 7 /* shared for everything */, NULL, 3 /* OPEN_EXISTING */,
                       0x02000000 /* FILE_FLAG_BACKUP_SEMANTICS: directories too */, NULL);
  if (handle == (void *)(intptr_t)-1) return wide;
  attributes = GetFileAttributesW(wide);
  if (GetFileType(handle) != 1 /* FILE_TYPE_DISK */) {
    *kind = INVMAN_I_DEVICE;
  } else if (attributes != 0xffffffff && attributes & 0x10 /* FILE_ATTRIBUTE_DIRECTORY */) {
    *kind = INVMAN_I_DIRECTORY;
  } else {
    *kind = INVMAN_I_PLAIN;
    n = attributes & 0x400 /* FILE_ATTRIBUTE_REPARSE_POINT */ ? GetFinalPathNameByHandleW(handle, NULL, 0, 0) : 0;
    last = n > 0 ? (wchar_t *)invman_i_take(scope, (size_t)n + 1, sizeof *last) : NULL;
    if (last && GetFinalPathNameByHandleW(handle, last, n + 1, 0) <= n) wide = last;
  }
  CloseHandle(handle);
  return wide;
}

static FILE *invman_i_open_device(const wchar_t *path) { return _wfopen(path, L"wb"); }
static int invman_i_may_write(const wchar_t *path) { return _waccess(path, 2) == 0; }

static FILE *invman_i_open_new(const wchar_t *name, const wchar_t *path, int *descriptor) {
  FILE *stream;
  (void)path;
  *descriptor = _wopen(name, _O_WRONLY | _O_CREAT | _O_EXCL | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
  stream = *descriptor < 0 ? NULL : _fdopen(*descriptor, "wb");
  if (!stream && *descriptor >= 0) _close(*descriptor), _wremove(name);
  return stream;
}

static int invman_i_flush_to_disk(int descriptor) { return _commit(descriptor) == 0; }

/* In one step. A program that reads the old file at that moment, or looks through it for viruses, is waited for. */
static int invman_i_give_name(const wchar_t *name, const wchar_t *path) {
  int tries;
  for (tries = 0; !MoveFileExW(name, path, 1 | 8 /* MOVEFILE_REPLACE_EXISTING, MOVEFILE_WRITE_THROUGH */); tries++) {
    unsigned long error = GetLastError();
    int held = error == 5 || error == 32 || error == 33; /* access denied, shared, locked */
    errno = held ? EBUSY : 0;
    if (!held || tries == 100) return 0;
    Sleep(10);
  }
  return 1;
}

static void invman_i_remove(const wchar_t *name) { _wremove(name); }
static void invman_i_flush_directory(wchar_t *name, size_t base) { (void)name, (void)base; } /* written through */
static uint64_t invman_i_process(void) { return GetCurrentProcessId(); }

#else

typedef char invman_i_letter;
#define INVMAN_I_IS_SEPARATOR(letter) ((letter) == '/')

static FILE *invman_i_open_to_read(invman_i_scope *scope, const char *path) {
  (void)scope;
  return fopen(path, "rb");
}
static void invman_i_remove(const char *name) { remove(name); }
static int invman_i_give_name(const char *name, const char *path) { return rename(name, path) == 0; }

static char *invman_i_copy_path(invman_i_scope *scope, const char *path) {
  size_t length = strlen(path);
  char *copy = (char *)invman_i_take(scope, length + 1, 1);
  if (copy) memcpy(copy, path, length);
  return copy;
}

#ifdef INVMAN_I_POSIX

/* The C library may hide them, as glibc does under -std=c99 if nothing asks for POSIX before the first header. */
#if !defined(__cplusplus) && !defined(__USE_XOPEN2K8) && !defined(__APPLE__)
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#endif
extern int fsync(int);
extern FILE *fdopen(int, const char *);
extern ssize_t readlink(const char *, char *, size_t);
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
#endif

/* N where the path names an open descriptor, else -1. To open such a name anew would write over what the descriptor
   has written, and to replace the file behind it would lose what it will write. */
static int invman_i_descriptor(const char *path) {
  const char *digits = strncmp(path, "/dev/fd/", 8) == 0 ? path + 8
                       : strncmp(path, "/proc/self/fd/", 14) == 0 ? path + 14
                                                                  : "";
  size_t n = strspn(digits, "0123456789");
  if (strcmp(path, "/dev/stdout") == 0) return 1;
  if (strcmp(path, "/dev/stderr") == 0) return 2;
  return n > 0 && n < 7 && digits[n] == 0 ? (int)strtol(digits, NULL, 10) : -1;
}

static int invman_i_kind(const char *path) {
  struct stat found;
  if (invman_i_descriptor(path) >= 0 || strncmp(path, "/proc/", 6) == 0) return INVMAN_I_DEVICE;
  if (stat(path, &found) != 0) return INVMAN_I_ABSENT;
  return S_ISREG(found.st_mode) ? INVMAN_I_PLAIN : S_ISDIR(found.st_mode) ? INVMAN_I_DIRECTORY : INVMAN_I_DEVICE;
}

/* The file that a path names in the end, be it there or not, and what stands there. */
static char *invman_i_follow(invman_i_scope *scope, const char *path, int *kind) {
  char *at = invman_i_copy_path(scope, path), target[4096];
  int links;
  for (links = 0; at && links < 40; links++) {
    ssize_t n = invman_i_descriptor(at) >= 0 ? -1 : readlink(at, target, sizeof target - 1);
    char *slash = strrchr(at, '/'), *next;
    size_t keep;
    if (n < 0) { /* no link */
      *kind = invman_i_kind(at);
      return at;
    }
    target[n] = 0;
    keep = slash && target[0] != '/' ? (size_t)(slash - at) + 1 : 0;
    next = (char *)invman_i_take(scope, keep + (size_t)n + 1, 1);
    if (next) {
      memcpy(next, at, keep);
      memcpy(next + keep, target, (size_t)n);
    }
    invman_i_give(scope, at);
    at = next;
  }
  errno = ELOOP;
  return NULL;
}

static FILE *invman_i_open_device(const char *path) {
  int descriptor = invman_i_descriptor(path);
  FILE *stream;
  if (descriptor < 0) return fopen(path, "wb");
  if (descriptor == 1) fflush(stdout); /* in the order of the calls */
  descriptor = dup(descriptor);
  stream = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
  if (!stream && descriptor >= 0) close(descriptor);
  return stream;
}

static int invman_i_may_write(const char *path) { return access(path, W_OK) == 0; }

/* Gives a new file the owner and mode of the one that it replaces. A group that may not be given to it does not leave
   its rights to another one. */
static void invman_i_keep_owner(const char *name, const struct stat *old) {
  mode_t mode = old->st_mode & 07777;
  if (chown(name, old->st_uid, old->st_gid) != 0 && chown(name, (uid_t)-1, old->st_gid) != 0)
    mode = (mode & ~(mode_t)070) | (mode & 07) << 3;
  chmod(name, mode);
}

static FILE *invman_i_open_new(const char *name, const char *path, int *descriptor) {
  struct stat old;
  int kept = stat(path, &old) == 0, flags = O_WRONLY | O_CREAT | O_EXCL;
  FILE *stream;
#ifdef O_CLOEXEC
  flags |= O_CLOEXEC;
#endif
#ifdef O_BINARY
  flags |= O_BINARY;
#endif
  *descriptor = open(name, flags, kept ? 0600 : 0666);
  if (*descriptor < 0) return NULL;
  if (kept) invman_i_keep_owner(name, &old);
  stream = fdopen(*descriptor, "wb");
  if (!stream) {
    close(*descriptor);
    remove(name);
  }
  return stream;
}

static int invman_i_flush_to_disk(int descriptor) { /* not all file systems know of it */
  while (fsync(descriptor) != 0)
    if (errno != EINTR) return errno == EINVAL || errno == ENOSYS || errno == ENOTSUP || errno == EOPNOTSUPP;
  return 1;
}

/* The directory of name, whose last part begins at base: then the new name outlasts a loss of power. A directory that
   may not be read cannot be flushed. */
static void invman_i_flush_directory(char *name, size_t base) {
  int descriptor;
  if (base == 0) name[base++] = '.';
  name[base] = 0;
  descriptor = open(name, O_RDONLY);
  if (descriptor < 0) return;
  invman_i_flush_to_disk(descriptor);
  close(descriptor);
}

static uint64_t invman_i_process(void) { return (uint64_t)getpid(); }

#else /* C alone */

static char *invman_i_follow(invman_i_scope *scope, const char *path, int *kind) {
  *kind = INVMAN_I_ABSENT;
  return invman_i_copy_path(scope, path);
}
static FILE *invman_i_open_device(const char *path) { return fopen(path, "wb"); }
static int invman_i_may_write(const char *path) { return path[0] != 0; }
static FILE *invman_i_open_new(const char *name, const char *path, int *descriptor) {
  (void)path;
  *descriptor = -1;
  return fopen(name, "wbx");
}
static int invman_i_flush_to_disk(int descriptor) { return descriptor == -1; }
static void invman_i_flush_directory(char *name, size_t base) { (void)name, (void)base; }
static uint64_t invman_i_process(void) { return 0; }

#endif
#endif

/* ---- files in the making */

struct invman_file {
  invman_i_scope scope;
  invman_context context;
  invman_i_letter *path, *name; /* no symbolic link; the other name beside it, NULL: written to as it is */
  size_t base;                  /* where the last part of both begins */
  FILE *stream;
  int descriptor; /* of stream, where it has another name */
};

enum { INVMAN_I_SUFFIX = 12 }; /* .tmp and eight letters */

/* Opens a file beside the path that is nobody else's. Its name is no longer than the file's where that is long. */
static int invman_i_open_beside(invman_file *file, size_t length) {
  static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  const size_t base = sizeof digits - 1;
  uint64_t seed = invman_i_process() * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)(uintptr_t)file;
  size_t keep = length, part = length - file->base, k, tries;
  if (part > INVMAN_I_SUFFIX && (part > 100 || length > 200)) {
    keep -= INVMAN_I_SUFFIX;
    while (keep > file->base && (file->path[keep] & 0xc0) == 0x80) keep--; /* at a whole letter of UTF-8 */
  }
  file->name = (invman_i_letter *)invman_i_take(&file->scope, length + INVMAN_I_SUFFIX + 1, sizeof *file->name);
  if (!file->name) return 0;
  memcpy(file->name, file->path, keep * sizeof *file->name);
  for (tries = 0; tries < 10000 && !file->stream; tries++) {
    uint64_t bits = invman_i_mix(seed + tries);
    for (k = 0; k < INVMAN_I_SUFFIX; k++) {
      file->name[keep + k] = (invman_i_letter)(k < 4 ? ".tmp"[k] : digits[bits % base]);
      bits = k < 4 ? bits : bits / base;
    }
    errno = 0;
    file->stream = invman_i_open_new(file->name, file->path, &file->descriptor);
    if (!file->stream && errno != EEXIST) break;
  }
  return file->stream != NULL;
}

/* Opens the file, or another one beside it; `asks`: only asks whether it could, where that alone would change it.
   0: failed, for what errno or the scope says. */
static int invman_i_start_file(invman_file *file, const char *path, int asks) {
  size_t length = 0;
  int kind;
  file->path = invman_i_follow(&file->scope, path, &kind);
  if (!file->path) return 0;
  for (; file->path[length]; length++)
    if (INVMAN_I_IS_SEPARATOR(file->path[length])) file->base = length + 1;
  if (kind == INVMAN_I_DEVICE) {
    if (asks) return invman_i_may_write(file->path);
    file->stream = invman_i_open_device(file->path);
    return file->stream != NULL;
  }
  if (kind == INVMAN_I_DIRECTORY || file->base == length) {
    errno = EISDIR;
    return 0;
  }
  return invman_i_open_beside(file, length);
}

static invman_status invman_i_make_file(const invman_context *ctx, const char *path, int asks, invman_file **out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_file *file;
  if (!path || !*path) return invman_i_bad(ctx, "save: no path");
  file = (invman_file *)invman_i_take(&scope, 1, sizeof *file);
  if (!file) return invman_i_close(&scope);
  file->scope = scope;
  if (ctx) file->context = *ctx;
  file->scope.ctx = &file->context;
  errno = 0;
  if (!invman_i_start_file(file, path, asks)) {
    const char *why = invman_i_cannot_create[invman_i_reason(errno)];
    scope = file->scope;
    scope.ctx = ctx;
    if (scope.status == INVMAN_OK) scope.status = invman_i_fail(ctx, INVMAN_E_IO, why, "", 0);
    return invman_i_close(&scope);
  }
  *out = file;
  return INVMAN_OK;
}

invman_status invman_file_create(const invman_context *ctx, const char *path, invman_file **out) {
  if (!out) return invman_i_bad(ctx, "file_create: out is NULL");
  *out = NULL;
  return invman_i_make_file(ctx, path, 0, out);
}

invman_status invman_file_check(const invman_context *ctx, const char *path) {
  invman_file *file = NULL;
  invman_status status = invman_i_make_file(ctx, path, 1, &file);
  invman_file_discard(file);
  return status;
}

void *invman_file_stream(invman_file *file) { return file ? file->stream : NULL; }

void invman_file_discard(invman_file *file) {
  invman_i_scope scope;
  invman_context context;
  if (!file) return;
  if (file->stream) fclose(file->stream);
  if (file->name) invman_i_remove(file->name);
  context = file->context;
  scope = file->scope;
  scope.ctx = &context;
  invman_i_close(&scope);
}

invman_status invman_file_commit(invman_file *file) {
  invman_status status = INVMAN_OK;
  int done;
  if (!file) return INVMAN_E_ARG;
  errno = 0;
  done = !ferror(file->stream);
  if (!done && file->name) putc(0, file->stream); /* which fails again, and then errno says why */
  done &= fflush(file->stream) == 0;
  if (done && file->name) done = invman_i_flush_to_disk(file->descriptor);
  if (fclose(file->stream) != 0) done = 0;
  file->stream = NULL;
  if (done && file->name && invman_i_give_name(file->name, file->path)) {
    invman_i_flush_directory(file->name, file->base);
    file->name = NULL;
  } else if (!done || file->name) {
    const char *why = invman_i_cannot_write[invman_i_reason(errno)];
    status = invman_i_fail(&file->context, INVMAN_E_IO, why, "", 0);
  }
  invman_file_discard(file);
  return status;
}

/* ---- reading */

/* cannot: the list of reasons. */
static unsigned char *invman_i_read_file(invman_i_scope *scope, const char *path, const char *const *cannot,
                                         size_t *size) {
  size_t room = 1 << 16, got;
  unsigned char *data;
  FILE *file;
  *size = 0;
  errno = 0;
  file = path ? invman_i_open_to_read(scope, path) : NULL;
  if (!file) {
    if (scope->status == INVMAN_OK)
      scope->status =
          invman_i_fail(scope->ctx, path ? INVMAN_E_IO : INVMAN_E_ARG, cannot[invman_i_reason(errno)], "", 0);
    return NULL;
  }
  data = (unsigned char *)invman_i_take(scope, room, 1);
  while (data && (got = fread(data + *size, 1, room - *size, file)) > 0) {
    unsigned char *larger;
    *size += got;
    if (*size < room) continue;
    larger = (unsigned char *)invman_i_take(scope, invman_i_mul(2, room), 1);
    if (larger) memcpy(larger, data, *size);
    invman_i_give(scope, data);
    data = larger;
    room *= 2;
  }
  if (data && ferror(file)) {
    scope->status = invman_i_fail(scope->ctx, INVMAN_E_IO, cannot[invman_i_reason(errno)], "byte", *size);
    data = NULL;
  }
  fclose(file);
  return data;
}

/* ---- numbers: decimal, rounded correctly, the same in every locale */

enum { INVMAN_I_LIMBS = 128, INVMAN_I_DIGITS = 800 };

typedef struct invman_i_big { /* a natural number below 2^4096 */
  uint32_t limb[INVMAN_I_LIMBS];
  size_t n; /* limbs in use, the last one not 0 */
} invman_i_big;

static void invman_i_big_fma(invman_i_big *b, uint32_t factor, uint32_t add) { /* b = b factor + add */
  uint64_t carry = add;
  size_t k;
  for (k = 0; k < b->n; k++) {
    carry += (uint64_t)b->limb[k] * factor;
    b->limb[k] = (uint32_t)(carry & 0xffffffffu);
    carry >>= 32;
  }
  if (carry) b->limb[b->n++] = (uint32_t)carry;
}

static void invman_i_big_times_power_of_ten(invman_i_big *b, size_t power) {
  for (; power >= 9; power -= 9) invman_i_big_fma(b, 1000000000u, 0);
  for (; power > 0; power--) invman_i_big_fma(b, 10, 0);
}

static int invman_i_big_bits(const invman_i_big *b) { /* b < 2^bits, b >= 2^(bits - 1) */
  uint32_t top = b->n ? b->limb[b->n - 1] : 0;
  int bits = b->n ? 32 * (int)(b->n - 1) : 0;
  for (; top; top >>= 1) bits++;
  return bits;
}

static void invman_i_big_shift(invman_i_big *b, int bits) { /* to the left */
  size_t limbs = (size_t)bits / 32;
  if (b->n == 0) return;
  memmove(b->limb + limbs, b->limb, b->n * sizeof b->limb[0]);
  memset(b->limb, 0, limbs * sizeof b->limb[0]);
  b->n += limbs;
  invman_i_big_fma(b, (uint32_t)1 << bits % 32, 0);
}

static int invman_i_big_less(const invman_i_big *a, const invman_i_big *b) {
  size_t k = a->n;
  if (a->n != b->n) return a->n < b->n;
  while (k > 0 && a->limb[k - 1] == b->limb[k - 1]) k--;
  return k > 0 && a->limb[k - 1] < b->limb[k - 1];
}

static void invman_i_big_minus(invman_i_big *a, const invman_i_big *b, uint32_t factor) { /* a -= b factor, >= 0 */
  uint64_t carry = 0;
  size_t k;
  for (k = 0; k < a->n; k++) {
    uint32_t less;
    if (k < b->n) carry += (uint64_t)b->limb[k] * factor;
    less = (uint32_t)(carry & 0xffffffffu);
    carry = (carry >> 32) + (a->limb[k] < less);
    a->limb[k] -= less;
  }
  while (a->n > 0 && a->limb[a->n - 1] == 0) a->n--;
}

/* The whole part of N/M, below 2^32; N becomes what is left. M's first limb has its first bit, so that the first limbs
   alone give less than the quotient by no more than three. */
static uint32_t invman_i_big_divide(invman_i_big *N, const invman_i_big *M) {
  size_t n = M->n;
  uint64_t first = (N->n > n ? (uint64_t)N->limb[n] << 32 : 0) | (N->n >= n ? N->limb[n - 1] : 0);
  uint32_t q = (uint32_t)(first / ((uint64_t)M->limb[n - 1] + 1));
  invman_i_big_minus(N, M, q);
  for (; !invman_i_big_less(N, M); q++) invman_i_big_minus(N, M, 1);
  return q;
}

/* The double nearest to N/M > 0, of two equally near ones the even one. N and M change. */
static double invman_i_big_quotient(invman_i_big *N, invman_i_big *M) {
  int shift = 31 - (invman_i_big_bits(N) - invman_i_big_bits(M)), more, exponent, drop;
  uint64_t quotient, bits;
  double value;

  /* N/M 2^(shift + 32) in 63 or 64 bits, in two steps. */
  if (shift >= 0) invman_i_big_shift(N, shift);
  else invman_i_big_shift(M, -shift);
  more = (32 - invman_i_big_bits(M) % 32) % 32;
  invman_i_big_shift(M, more);
  invman_i_big_shift(N, more);
  quotient = (uint64_t)invman_i_big_divide(N, M) << 32;
  invman_i_big_shift(N, 32);
  quotient |= invman_i_big_divide(N, M);

  /* As many of them as a double has: 53, or fewer if it is subnormal. */
  exponent = (quotient >> 63 ? 63 : 62) - 32 - shift;
  if (exponent > 1023) return HUGE_VAL;
  drop = (quotient >> 63 ? 11 : 10) + (exponent < -1022 ? -1022 - exponent : 0);
  if (drop > 64) return 0;
  bits = drop == 64 ? 0 : quotient >> drop;
  if (quotient >> (drop - 1) & 1) bits += (quotient & ((UINT64_C(1) << (drop - 1)) - 1)) || N->n > 0 || (bits & 1);

  /* A carry into the exponent is right, even to the smallest normal number and to infinity. */
  if (exponent >= -1022) bits += (uint64_t)(exponent + 1022) << 52;
  memcpy(&value, &bits, sizeof value);
  return value;
}

typedef struct invman_i_decimal { /* digits 10^exponent; more digits than decide are one digit that is not 0 */
  char digit[INVMAN_I_DIGITS + 1];
  size_t n;
  int64_t exponent;
} invman_i_decimal;

static double invman_i_from_decimal(const invman_i_decimal *x) {
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  invman_i_big N, M;
  uint32_t part = 0, scale = 1; /* nine digits at a time */
  size_t k;
  if (x->n == 0) return 0;
  if ((int64_t)x->n + x->exponent > 310) return HUGE_VAL;
  if ((int64_t)x->n + x->exponent < -330) return 0;
#if defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD == 0
  if (x->n <= 15 && x->exponent >= -22 && x->exponent <= 22) { /* both exact, so one rounding (Clinger 1990) */
    double whole = 0;
    for (k = 0; k < x->n; k++) whole = 10 * whole + x->digit[k];
    return x->exponent < 0 ? whole / power[-x->exponent] : whole * power[x->exponent];
  }
#endif
  (void)power;
  N.n = M.n = 0;
  for (k = 0; k < x->n; k++) {
    part = 10u * part + (uint32_t)x->digit[k];
    scale *= 10;
    if (scale < 1000000000u && k + 1 < x->n) continue;
    invman_i_big_fma(&N, scale, part);
    part = 0;
    scale = 1;
  }
  invman_i_big_fma(&M, 1, 1);
  invman_i_big_times_power_of_ten(x->exponent < 0 ? &M : &N,
                                  x->exponent < 0 ? (size_t)-x->exponent : (size_t)x->exponent);
  return invman_i_big_quotient(&N, &M);
}

/* Whether a text begins with a name in small letters, in either case. */
static int invman_i_begins(const char *at, const char *end, const char *name) {
  for (; *name; name++, at++)
    if (at == end || (*at != *name && !(*at >= 'A' && *at <= 'Z' && *at - 'A' + 'a' == *name))) return 0;
  return 1;
}

static int invman_i_is_digit(const char *at, const char *end) { return at < end && *at >= '0' && *at <= '9'; }

/* [+-] digits [point digits] [e [+-] digits], or inf, infinity, nan: where that ends, NULL: none. No digit more than
   800 decides: halfway between two doubles a number has at most 768. */
static const char *invman_i_parse_number(const char *at, const char *end, char point, double *value) {
  invman_i_decimal x;
  int negative = at < end && *at == '-', any = 0, fraction = 0;
  x.n = 0;
  x.exponent = 0;
  if (at < end && (*at == '-' || *at == '+')) at++;
  *value = negative ? -HUGE_VAL : HUGE_VAL; /* for nan too: neither is finite */
  if (invman_i_begins(at, end, "infinity")) return at + 8;
  if (invman_i_begins(at, end, "inf") || invman_i_begins(at, end, "nan")) return at + 3;
  for (; invman_i_is_digit(at, end) || (!fraction && at < end && *at == point); at++) {
    if (*at == point) {
      fraction = 1;
      continue;
    }
    any = 1;
    x.exponent -= fraction;
    if (x.n == 0 && *at == '0') continue;
    if (x.n < INVMAN_I_DIGITS) {
      x.digit[x.n++] = (char)(*at - '0');
      continue;
    }
    x.exponent++;
    if (x.n == INVMAN_I_DIGITS && *at != '0') {
      x.digit[x.n++] = 1;
      x.exponent--;
    }
  }
  if (!any) return NULL;
  if (at < end && (*at == 'e' || *at == 'E')) {
    const char *digits = at + 1;
    int below = digits < end && *digits == '-';
    int64_t exponent = 0;
    if (digits < end && (*digits == '-' || *digits == '+')) digits++;
    if (invman_i_is_digit(digits, end)) {
      for (at = digits; invman_i_is_digit(at, end); at++)
        if (exponent < INT64_C(1000000000000000)) exponent = 10 * exponent + (*at - '0');
      x.exponent += below ? -exponent : exponent;
    }
  }
  *value = negative ? -invman_i_from_decimal(&x) : invman_i_from_decimal(&x);
  return at;
}

/* ---- CSV: one separator for all lines: commas, semicolons, or white space (spaces, or one tab between two fields) */

typedef struct invman_i_csv {
  const char *at, *end; /* the rest of the line */
  char separator;       /* ',', ';' or ' ' */
  int more;             /* fields */
} invman_i_csv;

typedef struct invman_i_field {
  const char *start, *stop; /* without white space and quotation marks around */
} invman_i_field;

static int invman_i_is_blank(const char *at) { return *at == ' ' || *at == '\t'; }

/* What follows the quoted field that begins at `at`; NULL: it is not closed. */
static const char *invman_i_after_quotes(const char *at, const char *end) {
  for (at++; at < end; at++)
    if (*at == '"' && (++at == end || *at != '"')) return at;
  return NULL;
}

/* The separator of a line, outside quotes: semicolons before commas before white space, as none is part of a number.
   mixed: it has both of the former. 0: a quoted field is not closed. */
static char invman_i_separator(const char *at, const char *end, int *mixed) {
  int commas = 0, semicolons = 0, starts = 1; /* a field, where a quotation mark quotes */
  while (at < end) {
    const char *next = *at == '"' && starts ? invman_i_after_quotes(at, end) : at + 1;
    commas |= *at == ',';
    semicolons |= *at == ';';
    starts = *at == ',' || *at == ';' || invman_i_is_blank(at);
    if (!next) return 0;
    at = next;
  }
  *mixed = commas && semicolons;
  return semicolons ? ';' : commas ? ',' : ' ';
}

static invman_i_csv invman_i_open_line(const char *at, const char *end, char separator) {
  invman_i_csv line;
  line.at = at;
  line.end = end;
  line.separator = separator;
  line.more = 1;
  return line;
}

/* The next field of a line; 0: no more. */
static int invman_i_next_field(invman_i_csv *line, invman_i_field *field) {
  const char *at = line->at, *end = line->end, *after;
  int blanks = line->separator == ' ';
  if (!line->more) return 0;
  while (at < end && (*at == ' ' || (!blanks && *at == '\t'))) at++;
  field->start = at;
  if (at < end && *at == '"') {
    after = invman_i_after_quotes(at, end);
    at = after ? after : end;
  }
  while (at < end && !(blanks ? invman_i_is_blank(at) : *at == line->separator)) at++;
  field->stop = at;
  while (blanks && at < end && *at == ' ') at++;
  line->more = at < end;
  if (at < end && *at == (blanks ? '\t' : line->separator)) at++;
  line->at = at;
  while (field->stop > field->start && invman_i_is_blank(field->stop - 1)) field->stop--;
  if (field->stop - field->start < 2 || *field->start != '"' || field->stop[-1] != '"') return 1;
  for (field->start++, field->stop--; field->start < field->stop && invman_i_is_blank(field->start);) field->start++;
  while (field->stop > field->start && invman_i_is_blank(field->stop - 1)) field->stop--;
  return 1;
}

static int invman_i_is_number(const invman_i_field *field, char point, double *value) {
  return invman_i_parse_number(field->start, field->stop, point, value) == field->stop;
}

/* Texts that stand for a missing value. */
static int invman_i_is_missing(const invman_i_field *field) {
  static const char *const words[] = {"", "na", "n/a", "#n/a", "null", "none", "-", "?"};
  size_t k;
  for (k = 0; k < INVMAN_I_COUNT(words); k++)
    if ((size_t)(field->stop - field->start) == strlen(words[k]) &&
        invman_i_begins(field->start, field->stop, words[k]))
      return 1;
  return 0;
}

/* Texts that spreadsheets write for a value that could not be computed. */
static int invman_i_is_no_value(const char *at, const char *end) {
  static const char *const words[] = {"#n/a", "#ref!", "#value!", "#div/0!", "#num!", "#name?", "#null!"};
  size_t k;
  for (k = 0; k < INVMAN_I_COUNT(words); k++)
    if (invman_i_begins(at, end, words[k])) return 1;
  return 0;
}

static int invman_i_is_hexadecimal(const invman_i_field *field) {
  const char *at = field->start, *end = field->stop;
  if (at < end && (*at == '-' || *at == '+')) at++;
  if (end - at < 3 || !invman_i_begins(at, end, "0x")) return 0;
  for (at += 2; at < end && *at && strchr("0123456789abcdefABCDEFpP.+-", *at);) at++;
  return at == end;
}

/* Whether the first line is a header: it has a name, and nothing that is a number, in any notation, or stands for one.
   The name of a table's index may be empty. */
static int invman_i_is_header(const char *at, const char *end, char separator) {
  invman_i_csv line = invman_i_open_line(at, end, separator);
  invman_i_field field;
  int names = 0;
  while (invman_i_next_field(&line, &field)) {
    double value;
    if (field.start == field.stop) continue;
    if (invman_i_is_number(&field, '.', &value) || invman_i_is_number(&field, ',', &value)) return 0;
    if (invman_i_is_missing(&field) || invman_i_is_hexadecimal(&field)) return 0;
    names++;
  }
  return names > 0;
}

/* Whether the numbers of a line are 0, 1, 2, ..., as in the header of a table whose columns have no names. */
static int invman_i_is_count(const char *at, const char *end, char separator) {
  invman_i_csv line = invman_i_open_line(at, end, separator);
  invman_i_field field;
  double value, count = 0;
  while (invman_i_next_field(&line, &field)) {
    if (!invman_i_is_number(&field, '.', &value)) continue;
    for (at = field.start; at < field.stop; at++)
      if (!invman_i_is_digit(at, field.stop)) return 0;
    if (value != count || (*field.start == '0' && field.stop - field.start > 1)) return 0;
    count++;
  }
  return count > 1;
}

static size_t invman_i_count_fields(const char *at, const char *end, char separator) {
  invman_i_csv line = invman_i_open_line(at, end, separator);
  invman_i_field field;
  size_t count = 0;
  while (invman_i_next_field(&line, &field)) count++;
  return count;
}

/* Says what is wrong with a field that should be a finite number; NULL if nothing is. */
static const char *invman_i_read_field(const invman_i_field *field, double *value, invman_status *status) {
  const char *at;
  if (!invman_i_is_number(field, '.', value)) {
    if (field->start == field->stop) return "csv: an empty field";
    if (invman_i_is_missing(field)) return "csv: a value is missing";
    if (invman_i_is_number(field, ',', value)) return "csv: a decimal comma; write a point";
    for (at = field->start; at < field->stop; at++)
      if (invman_i_is_blank(at)) return "csv: mixed separators; use one, and a point in numbers, not a comma";
    return "csv: a field is not a number";
  }
  if (invman_i_isfinite(*value)) return NULL;
  *status = INVMAN_E_NONFINITE;
  return "csv: a number is not finite";
}

typedef struct invman_i_table {    /* what is known of a text so far */
  const char *header, *header_end; /* NULL: there is none */
  size_t n, d;                     /* points, coordinates */
  char separator;                  /* of the points */
  double *x, *y;                   /* NULL: the points are only counted */
} invman_i_table;

static const char *invman_i_read_point(invman_i_table *t, const char *at, const char *end, char separator,
                                       invman_status *status) {
  invman_i_csv line = invman_i_open_line(at, end, separator);
  invman_i_field field;
  size_t column;
  double value = 0;
  if (t->n > 0 && separator != t->separator && invman_i_count_fields(at, end, separator) > 1)
    return "csv: another separator than on the lines before";
  for (column = 0; invman_i_next_field(&line, &field); column++) {
    const char *wrong = invman_i_read_field(&field, &value, status);
    if (wrong) return wrong;
    if (t->n > 0 && column > t->d) return "csv: more columns than on the lines before";
    if (t->x && column < t->d) t->x[t->n * t->d + column] = value;
  }
  if (t->n == 0 && t->header && column != invman_i_count_fields(t->header, t->header_end, separator))
    return "csv: another number of columns than the header has; are commas decimal ones? write points";
  if (column == 1) return "csv: a point needs at least one coordinate and its label";
  if (t->n == 0) t->d = column - 1;
  if (column <= t->d) return "csv: fewer columns than on the lines before";
  if (value != 1 && value != -1) return "csv: the label in the last column is neither -1 nor +1";
  if (t->y) t->y[t->n] = value;
  t->separator = separator;
  t->n++;
  return NULL;
}

/* Says what a file is that is no such text; NULL if that is not known. */
static const char *invman_i_not_csv(const char *text, size_t size) {
  static const char *const utf16 = "csv: the text is in UTF-16; save it in UTF-8";
  static const char *const packed = "csv: the file is compressed; unpack it first";
  const struct {
    const char *start, *what;
  } kinds[] = {{"\xff\xfe", utf16},
               {"\xfe\xff", utf16},
               {"\x1f\x8b", "csv: compressed by gzip; unpack the file first"},
               {"PK\3\4", "csv: a zip archive, as .npz and .xlsx are; save the table as text"},
               {"\x93NUMPY", "csv: a .npy file of NumPy; save the table as text"},
               {"\xfd\x37zXZ", packed},
               {"\x28\xb5\x2f\xfd", packed},
               {"\x89INV", "csv: a file that this library saved, not a table"}};
  size_t k;
  for (k = 0; k < INVMAN_I_COUNT(kinds); k++) {
    size_t n = strlen(kinds[k].start);
    if (size >= n && memcmp(text, kinds[k].start, n) == 0) return kinds[k].what;
  }
  if (size >= 4 && ((!text[0] && !text[2]) || (!text[1] && !text[3]))) return utf16;
  return NULL;
}

/* Reads a line, without what ends it. first: the first that has anything to say. */
static const char *invman_i_read_line(invman_i_table *t, const char *at, const char *end, int first,
                                      invman_status *status) {
  int mixed = 0;
  char separator = invman_i_separator(at, end, &mixed);
  if (memchr(at, 0, (size_t)(end - at))) return "csv: a zero byte, which no text in UTF-8 has";
  if (memchr(at, '\r', (size_t)(end - at))) return "csv: a CR within a line; end lines with LF or CR LF";
  if (*at == '#')
    return invman_i_is_no_value(at, end) ? "csv: a spreadsheet's error stands for a value, as #N/A does" : NULL;
  if (!separator) return "csv: a quotation mark is not closed";
  if (first && invman_i_is_header(at, end, separator)) {
    t->header = at;
    t->header_end = end;
    return NULL;
  }
  if (mixed) return "csv: mixed separators; use one, and a point in numbers, not a comma";
  if (first && invman_i_is_count(at, end, separator))
    return "csv: the first line numbers columns: 0, 1, ...; remove it, or write 0.0 for 0 where it is a point";
  return invman_i_read_point(t, at, end, separator, status);
}

/* Reads the points of a text. line: where it went wrong. */
static const char *invman_i_parse_csv(const char *text, size_t size, invman_i_table *t, size_t *line,
                                      invman_status *status) {
  const char *wrong = invman_i_not_csv(text, size), *end = text + size, *next;
  int first = 1;
  *line = 1;
  *status = INVMAN_E_FORMAT;
  t->header = NULL;
  t->n = 0;
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3; /* a byte order mark */
  for (; !wrong && text < end; text = next) {
    const char *stop = (const char *)memchr(text, '\n', (size_t)(end - text)), *at = text;
    next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    while (stop > at && (stop[-1] == ' ' || stop[-1] == '\r')) stop--;
    while (at < stop && invman_i_is_blank(at)) at++;
    if (at < stop) {
      int comment = *at == '#';
      wrong = invman_i_read_line(t, comment ? at : text, stop, first, status);
      first &= comment;
    }
    if (!wrong) ++*line;
  }
  return wrong ? wrong : t->n > 0 ? NULL : "csv: no points";
}

invman_status invman_data_read_csv(const invman_context *ctx, const char *path, invman_data *out) {
  invman_i_scope scope = invman_i_open(ctx), result = invman_i_open(ctx);
  invman_i_table table;
  invman_data data;
  size_t size, line;
  const char *text, *wrong;
  invman_status status;
  if (!out) return invman_i_bad(ctx, "data_read_csv: out is NULL");
  memset(out, 0, sizeof *out);
  memset(&table, 0, sizeof table);
  text = (const char *)invman_i_read_file(&scope, path, invman_i_cannot_read, &size);
  if (!text) return invman_i_close(&scope);
  wrong = invman_i_parse_csv(text, size, &table, &line, &status);
  if (wrong) {
    scope.status = invman_i_fail(ctx, status, wrong, "line", line);
  } else if (invman_i_data_take(&result, table.n, table.d, &data)) {
    table.x = data.x;
    table.y = data.y;
    invman_i_parse_csv(text, size, &table, &line, &status);
    *out = data;
  } else {
    scope.status = invman_i_close(&result);
  }
  return invman_i_close(&scope);
}

/* ---- IDX: two zero bytes, the type (8: unsigned bytes), the number of dimensions, big-endian dimensions, data */

enum { INVMAN_I_IDX_RANK = 4 }; /* of an array at most */
typedef struct invman_i_idx {
  const unsigned char *bytes; /* the data */
  size_t rank, shape[INVMAN_I_IDX_RANK], head;
} invman_i_idx;

enum {
  INVMAN_I_IDX_GZIP,
  INVMAN_I_IDX_TYPE,
  INVMAN_I_IDX_SHAPE,
  INVMAN_I_IDX_SHORT,
  INVMAN_I_IDX_LONG,
  INVMAN_I_IDX_MESSAGES
};

/* Checks a file's head and length. message: of the images' or the labels' file. */
static invman_status invman_i_open_idx(const invman_context *ctx, const unsigned char *file, size_t size,
                                       const char *const message[INVMAN_I_IDX_MESSAGES], size_t rank_low,
                                       size_t rank_high, invman_i_idx *idx) {
  size_t k, total = 1;
  if (size >= 2 && file[0] == 0x1f && file[1] == 0x8b)
    return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_GZIP], "byte", 0);
  if (size < 4 || file[0] || file[1] || file[2] != 8)
    return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_TYPE], "byte", invman_i_min(size, 2));
  idx->rank = file[3];
  if (idx->rank < rank_low || idx->rank > rank_high)
    return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_SHAPE], "byte", 3);
  idx->head = 4 + 4 * idx->rank;
  if (size < idx->head) return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_SHORT], "byte", size);
  for (k = 0; k < idx->rank; k++) {
    const unsigned char *s = file + 4 + 4 * k;
    idx->shape[k] = (size_t)s[0] << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | (size_t)s[3];
    if (idx->shape[k] == 0) return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_SHAPE], "byte", 4 + 4 * k);
    total = invman_i_mul(total, idx->shape[k]);
  }
  if (size - idx->head < total) return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_SHORT], "byte", size);
  if (size - idx->head > total)
    return invman_i_fail(ctx, INVMAN_E_FORMAT, message[INVMAN_I_IDX_LONG], "byte", idx->head + total);
  idx->bytes = file + idx->head;
  return INVMAN_OK;
}

static int invman_i_idx_label(const invman_idx_options *o, int digit) {
  return o->label ? o->label(digit, o->user) : digit % 2 ? -1 : 1;
}

/* Subtracts the mean image and scales each image to norm sqrt(d). */
static void invman_i_centre(const invman_data *data) {
  size_t n = data->n, d = data->d, i, k;
  for (k = 0; k < d; k++) {
    double mean = 0;
    for (i = 0; i < n; i++) mean += data->x[i * d + k];
    mean /= (double)n;
    for (i = 0; i < n; i++) data->x[i * d + k] -= mean;
  }
  for (i = 0; i < n; i++) {
    double *x = data->x + i * d, norm = sqrt(invman_i_inner(x, x, d));
    if (norm > 0)
      for (k = 0; k < d; k++) x[k] *= sqrt((double)d) / norm;
  }
}

static invman_status invman_i_keep_images(const invman_context *ctx, const invman_i_idx *images,
                                          const invman_i_idx *labels, const invman_idx_options *o, invman_data *out) {
  invman_i_scope scope = invman_i_open(ctx), result = invman_i_open(ctx);
  size_t all = images->shape[0], d = 1, kept = 0, i, k;
  signed char *label = (signed char *)invman_i_take(&scope, all, 1);
  invman_data data;
  if (!label) return invman_i_close(&scope);
  for (k = 1; k < images->rank; k++) d *= images->shape[k];
  for (i = 0; i < all && (o->limit == 0 || kept < o->limit); i++) {
    int rule = invman_i_idx_label(o, labels->bytes[i]);
    if (rule < -1 || rule > 1) {
      scope.status =
          invman_i_fail(ctx, INVMAN_E_ARG, "data_read_idx: the label rule must give -1, 0 or +1", "element", i);
      return invman_i_close(&scope);
    }
    label[i] = (signed char)rule;
    kept += rule != 0;
  }
  if (kept == 0) {
    scope.status = invman_i_bad(ctx, "data_read_idx: the label rule keeps no image");
    return invman_i_close(&scope);
  }
  if (!invman_i_data_take(&result, kept, d, &data)) {
    scope.status = invman_i_close(&result);
    return invman_i_close(&scope);
  }
  for (i = 0, kept = 0; i < all; i++) {
    if (label[i] == 0) continue;
    for (k = 0; k < d; k++) data.x[kept * d + k] = images->bytes[i * d + k] / 255.0;
    data.y[kept++] = label[i];
  }
  if (o->centre) invman_i_centre(&data);
  *out = data;
  return invman_i_close(&scope);
}

invman_status invman_data_read_idx(const invman_context *ctx, const char *images, const char *labels,
                                   const invman_idx_options *options, invman_data *out) {
  static const char *const image_message[INVMAN_I_IDX_MESSAGES] = {
      "images: compressed by gzip; unpack the file first", "images: not an IDX file of unsigned bytes",
      "images: not (n, height, width) or (n, channels, height, width)", "images: the file is truncated",
      "images: the file is longer than it says"};
  static const char *const label_message[INVMAN_I_IDX_MESSAGES] = {
      "labels: compressed by gzip; unpack the file first", "labels: not an IDX file of unsigned bytes",
      "labels: not (n)", "labels: the file is truncated", "labels: the file is longer than it says"};
  static const char *const no_images[] = INVMAN_I_REASONS("images: the file cannot be read", "there is no such file");
  static const char *const no_labels[] = INVMAN_I_REASONS("labels: the file cannot be read", "there is no such file");
  invman_i_scope scope = invman_i_open(ctx);
  invman_idx_options o;
  invman_i_idx image, label;
  size_t image_size, label_size = 0;
  unsigned char *image_file, *label_file;
  if (!out) return invman_i_bad(ctx, "data_read_idx: out is NULL");
  memset(out, 0, sizeof *out);
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  image_file = invman_i_read_file(&scope, images, no_images, &image_size);
  label_file = image_file ? invman_i_read_file(&scope, labels, no_labels, &label_size) : NULL;
  if (!label_file) return invman_i_close(&scope);
  scope.status = invman_i_open_idx(ctx, image_file, image_size, image_message, 3, INVMAN_I_IDX_RANK, &image);
  if (scope.status == INVMAN_OK)
    scope.status = invman_i_open_idx(ctx, label_file, label_size, label_message, 1, 1, &label);
  if (scope.status == INVMAN_OK && label.shape[0] != image.shape[0])
    scope.status = invman_i_fail(ctx, INVMAN_E_FORMAT, "labels: not as many as images", "byte", 4);
  if (scope.status == INVMAN_OK) scope.status = invman_i_keep_images(ctx, &image, &label, &o, out);
  if (scope.status == INVMAN_OK && o.shape) {
    o.shape[0] = image.rank == 4 ? image.shape[1] : 1;
    o.shape[1] = image.shape[image.rank - 2];
    o.shape[2] = image.shape[image.rank - 1];
  }
  return invman_i_close(&scope);
}

/* ---- binary files. What a file holds is listed once, by a function that moves each item either way. */

typedef struct invman_i_stream {
  FILE *file;                /* writing */
  const unsigned char *data; /* reading: all of the file, whose length and checksum are right */
  size_t at, size;
  uint64_t hash;
  int failed; /* to find as much as wanted */
} invman_i_stream;

static uint64_t invman_i_fnv(uint64_t hash, const unsigned char *bytes, size_t n) { /* FNV-1a, 64 bits */
  size_t i;
  for (i = 0; i < n; i++) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}
#define INVMAN_I_FNV_START UINT64_C(0xcbf29ce484222325)

static void invman_i_move_u64(invman_i_stream *s, uint64_t *value) {
  unsigned char bytes[8];
  int k;
  if (s->file) {
    for (k = 0; k < 8; k++) bytes[k] = (unsigned char)(*value >> 8 * k & 255);
    s->hash = invman_i_fnv(s->hash, bytes, 8);
    fwrite(bytes, 1, 8, s->file);
  } else if (s->size - s->at < 8) {
    s->failed = 1;
    *value = 0;
  } else {
    for (k = 0, *value = 0; k < 8; k++) *value |= (uint64_t)s->data[s->at++] << 8 * k;
  }
}

static void invman_i_move_size(invman_i_stream *s, size_t *value) {
  uint64_t v = (uint64_t)*value;
  invman_i_move_u64(s, &v);
  if (!s->file) *value = v > SIZE_MAX ? SIZE_MAX : (size_t)v;
}

static void invman_i_move_double(invman_i_stream *s, double *value) {
  uint64_t bits;
  memcpy(&bits, value, sizeof bits);
  invman_i_move_u64(s, &bits);
  if (!s->file) memcpy(value, &bits, sizeof bits); /* saving leaves what it saves alone */
}

static void invman_i_move_doubles(invman_i_stream *s, double *x, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) invman_i_move_double(s, x + i);
}

static void invman_i_move_net(invman_i_stream *s, const invman_net *net) {
  invman_i_move_doubles(s, net->w, net->h * net->d);
  invman_i_move_doubles(s, net->b, net->h);
  invman_i_move_doubles(s, net->beta, net->h);
}

enum { INVMAN_I_HEAD_KIND = 8, INVMAN_I_HEAD_VERSION = 12, INVMAN_I_HEAD = 16 }; /* where each begins, and the end */
static void invman_i_head(const char *kind, unsigned char head[INVMAN_I_HEAD]) {
  static const unsigned char start[INVMAN_I_HEAD_KIND] = {0x89, 'I',  'N',  'V',
                                                          '\r', '\n', 0x1a, '\n'}; /* as PNG's: text modes break it */
  static const unsigned char version[INVMAN_I_HEAD - INVMAN_I_HEAD_VERSION] = {1, 0, 0, 0};
  memcpy(head, start, sizeof start);
  memcpy(head + INVMAN_I_HEAD_KIND, kind, INVMAN_I_HEAD_VERSION - INVMAN_I_HEAD_KIND);
  memcpy(head + INVMAN_I_HEAD_VERSION, version, sizeof version);
}

/* Writes a file of the given kind; `what` lists its items. */
static invman_status invman_i_write_file(const invman_context *ctx, const char *path, const char *kind,
                                         void (*what)(invman_i_stream *s, void *arg), void *arg) {
  invman_i_stream s;
  unsigned char head[INVMAN_I_HEAD];
  invman_file *file;
  invman_status status = invman_file_create(ctx, path, &file);
  if (status < 0) return status;
  memset(&s, 0, sizeof s);
  s.file = file->stream;
  invman_i_head(kind, head);
  s.hash = invman_i_fnv(INVMAN_I_FNV_START, head, INVMAN_I_HEAD);
  fwrite(head, 1, INVMAN_I_HEAD, s.file);
  what(&s, arg);
  invman_i_move_u64(&s, &s.hash);
  return invman_file_commit(file);
}

/* Reads a file of the given kind into the scope and checks its head and checksum. */
static invman_status invman_i_open_file(invman_i_scope *scope, const char *path, const char *kind, invman_i_stream *s) {
  unsigned char head[INVMAN_I_HEAD];
  invman_i_stream end;
  uint64_t hash = 0;
  size_t k;
  memset(s, 0, sizeof *s);
  s->data = invman_i_read_file(scope, path, invman_i_cannot_read, &s->size);
  if (!s->data) return scope->status;
  invman_i_head(kind, head);
  for (k = 0; k < INVMAN_I_HEAD; k++)
    if (k >= s->size || s->data[k] != head[k])
      return scope->status = invman_i_fail(scope->ctx, INVMAN_E_FORMAT,
                                           k >= s->size                ? "the file is truncated"
                                           : k < INVMAN_I_HEAD_KIND    ? "not a file of this library"
                                           : k < INVMAN_I_HEAD_VERSION ? "a file of another kind"
                                                                       : "a file of a newer format",
                                           "byte", k);
  if (s->size < INVMAN_I_HEAD + 8)
    return scope->status = invman_i_fail(scope->ctx, INVMAN_E_FORMAT, "the file is truncated", "byte", s->size);
  s->size -= 8;
  end = *s;
  end.at = s->size;
  end.size = s->size + 8;
  invman_i_move_u64(&end, &hash);
  if (hash != invman_i_fnv(INVMAN_I_FNV_START, s->data, s->size))
    return scope->status = invman_i_fail(scope->ctx, INVMAN_E_FORMAT, "truncated or corrupt: the checksum is wrong",
                                         "byte", s->size);
  s->at = INVMAN_I_HEAD;
  return INVMAN_OK;
}

/* Whether `count` doubles are what is left, or at least that. */
static invman_status invman_i_check_left(invman_i_scope *scope, const invman_i_stream *s, size_t count, int exactly) {
  size_t left = s->size - s->at, wanted = invman_i_mul(count, 8);
  if (s->failed || left < wanted || (exactly && left != wanted))
    scope->status = invman_i_fail(scope->ctx, INVMAN_E_FORMAT, "the file's length does not fit the sizes it names",
                                  "byte", s->size);
  return scope->status;
}

static void invman_i_net_items(invman_i_stream *s, void *arg) {
  invman_net *net = (invman_net *)arg;
  invman_i_move_size(s, &net->h);
  invman_i_move_size(s, &net->d);
  invman_i_move_net(s, net);
}

invman_status invman_net_save(const invman_context *ctx, const invman_net *net, const char *path) {
  invman_status status = invman_i_check_net(ctx, net);
  invman_net items;
  if (status < 0) return status;
  items = *net;
  return invman_i_write_file(ctx, path, "NET ", invman_i_net_items, &items);
}

invman_status invman_net_load(const invman_context *ctx, const char *path, invman_net *out) {
  invman_i_scope scope = invman_i_open(ctx), result = invman_i_open(ctx);
  invman_i_stream s;
  invman_net net;
  size_t h = 0, d = 0;
  if (!out) return invman_i_bad(ctx, "net_load: out is NULL");
  memset(out, 0, sizeof *out);
  if (invman_i_open_file(&scope, path, "NET ", &s) < 0) return invman_i_close(&scope);
  invman_i_move_size(&s, &h);
  invman_i_move_size(&s, &d);
  if (invman_i_check_left(&scope, &s, invman_i_mul(h, invman_i_add(d, 2)), 1) < 0) return invman_i_close(&scope);
  if (h == 0 || d == 0) {
    scope.status = invman_i_fail(ctx, INVMAN_E_FORMAT, "the file holds no network", "byte", INVMAN_I_HEAD);
    return invman_i_close(&scope);
  }
  if (!invman_i_net_take(&result, h, d, &net)) {
    scope.status = invman_i_close(&result);
    return invman_i_close(&scope);
  }
  invman_i_move_net(&s, &net);
  scope.status = invman_i_check_net(ctx, &net);
  if (scope.status < 0) invman_i_close(&result);
  else *out = net;
  return invman_i_close(&scope);
}

/* ---- a flow's file */

/* A fingerprint of the data that a flow runs on: a resumed flow must see the same data. */
static uint64_t invman_i_fingerprint(const invman_data *data) {
  uint64_t hash = INVMAN_I_FNV_START;
  size_t i;
  unsigned char bytes[8];
  for (i = 0; i < data->n * (data->d + 1); i++) {
    uint64_t bits;
    int k;
    memcpy(&bits, i < data->n ? data->y + i : data->x + (i - data->n), sizeof bits);
    for (k = 0; k < 8; k++) bytes[k] = (unsigned char)(bits >> 8 * k & 255);
    hash = invman_i_fnv(hash, bytes, 8);
  }
  return hash;
}

typedef struct invman_i_flow_head {
  size_t h, d, p, loss; /* a model: its size in the place of h */
  double alpha, loss_beta;
  uint64_t fingerprint;
  size_t single; /* a network's option */
  int model;
  size_t dynamics; /* a model's */
  double momentum;
} invman_i_flow_head;

static void invman_i_move_flow_head(invman_i_stream *s, invman_i_flow_head *head) {
  invman_i_move_size(s, &head->h);
  invman_i_move_size(s, &head->d);
  invman_i_move_size(s, &head->p);
  invman_i_move_size(s, &head->loss);
  invman_i_move_double(s, &head->alpha);
  invman_i_move_double(s, &head->loss_beta);
  invman_i_move_u64(s, &head->fingerprint);
  if (!head->model) invman_i_move_size(s, &head->single);
  if (!head->model) return;
  invman_i_move_size(s, &head->dynamics);
  invman_i_move_double(s, &head->momentum);
}

static void invman_i_move_info(invman_i_stream *s, invman_flow_info *info) {
  size_t end = (size_t)info->end;
  invman_i_move_double(s, &info->t);
  invman_i_move_double(s, &info->dt);
  invman_i_move_double(s, &info->lambda_max);
  invman_i_move_double(s, &info->t_star);
  invman_i_move_double(s, &info->lambda_star);
  invman_i_move_double(s, &info->test_error);
  invman_i_move_size(s, &info->step);
  invman_i_move_size(s, &info->rejected);
  invman_i_move_size(s, &info->sliding);
  invman_i_move_size(s, &end);
  invman_i_move_size(s, &info->events);
  invman_i_move_size(s, &info->held);
  info->end = end <= INVMAN_END_ROUNDING ? (int)end : INVMAN_END_NONE;
}

static void invman_i_move_single(invman_i_stream *s, invman_flow_info *info) {
  size_t single = (size_t)info->in_single;
  invman_i_move_double(s, &info->single_error);
  invman_i_move_size(s, &single);
  info->in_single = single == 1;
}

static void invman_i_move_pack(invman_i_stream *s, const invman_i_pack *pack) {
  size_t n, k;
  for (n = 0; n < pack->h; n++)
    for (k = 0; k < pack->d + 2; k++) invman_i_move_double(s, invman_i_neuron(pack, n) + k * INVMAN_I_WIDTH);
}

static void invman_i_move_held(invman_i_stream *s, invman_i_net_flow *f) {
  size_t p = f->batch->train->n, count = f->held_count, k;
  invman_i_move_size(s, &count);
  if (!s->file && (count > (s->size - s->at) / 24 || invman_i_held_reserve(f, count) < 0)) {
    count = 0;
    s->failed = 1;
  }
  f->held_count = count;
  for (k = 0; k < f->held_count; k++) {
    invman_i_held *h = &f->held[k];
    invman_i_move_size(s, &h->n);
    invman_i_move_size(s, &h->i);
    invman_i_move_double(s, &h->gate);
    if (!s->file && (h->n >= f->net->h || h->i >= p || !(h->gate > 0 && h->gate < 1) || (k > 0 && h->n < h[-1].n) ||
                     (k >= INVMAN_I_HELD_MAX && h->n == h[-INVMAN_I_HELD_MAX].n)))
      s->failed = 1;
  }
}

/* All that the next step depends on, beside the head: of a network's flow, and of a model's. */
static void invman_i_move_net_flow(invman_i_stream *s, invman_flow *flow, invman_i_net_flow *f) {
  size_t p = flow->batch.train->n;
  invman_i_move_single(s, &flow->info);
  invman_i_move_net(s, f->net);
  invman_i_move_pack(s, &f->start);
  invman_i_move_pack(s, &f->grad);
  invman_i_move_doubles(s, flow->margin, p);
  invman_i_move_doubles(s, flow->gap, p);
  invman_i_move_doubles(s, flow->seen, p);
  invman_i_move_doubles(s, flow->batch.rate, p);
  invman_i_move_doubles(s, flow->batch.r, p);
  invman_i_move_held(s, f);
}

static void invman_i_move_model_flow(invman_i_stream *s, invman_flow *flow, invman_i_model_flow *f) {
  size_t p = flow->batch.train->n, N = f->model.size;
  invman_i_move_doubles(s, f->base, N);
  invman_i_move_doubles(s, f->initial, N);
  invman_i_move_doubles(s, f->last_G, N);
  if (f->velocity) invman_i_move_doubles(s, f->velocity, N);
  invman_i_move_doubles(s, flow->margin, p);
  invman_i_move_doubles(s, flow->batch.rate, p);
  invman_i_move_doubles(s, flow->batch.r, p);
}

static void invman_i_move_flow(invman_i_stream *s, invman_flow *f) {
  invman_i_move_info(s, &f->info);
  invman_i_move_double(s, &f->dt);
  invman_i_move_double(s, &f->batch.speed);
  invman_i_move_double(s, &f->typical);
  if (invman_i_net_of(f)) invman_i_move_net_flow(s, f, invman_i_net_of(f));
  else invman_i_move_model_flow(s, f, invman_i_model_of(f));
}

static void invman_i_flow_items(invman_i_stream *s, void *arg) {
  invman_flow *f = (invman_flow *)arg;
  const invman_data *train = f->batch.train;
  invman_i_flow_head head;
  head.h = invman_i_net_of(f) ? invman_i_net_of(f)->net->h : invman_i_model_of(f)->model.size;
  head.d = train->d;
  head.p = train->n;
  head.loss = (size_t)f->options.loss;
  head.alpha = f->options.alpha;
  head.loss_beta = f->options.loss_beta;
  head.fingerprint = invman_i_fingerprint(train);
  head.single = (size_t)(f->options.single != 0);
  head.model = !invman_i_net_of(f);
  head.dynamics = (size_t)f->options.dynamics;
  head.momentum = f->options.momentum;
  invman_i_move_flow_head(s, &head);
  invman_i_move_flow(s, f);
}

invman_status invman_flow_save(const invman_flow *flow, const char *path) {
  invman_flow items;
  if (!flow) return INVMAN_E_ARG;
  if (flow->scope.status < 0) return flow->scope.status;
  if (!invman_i_net_of(flow) && !invman_i_model_of(flow))
    return invman_i_bad(&flow->context, "flow_save: a flow with this backend cannot be saved");
  items = *flow;
  return invman_i_write_file(&flow->context, path, invman_i_net_of(flow) ? "FLOW" : "MFLO", invman_i_flow_items,
                             &items);
}

static int invman_i_pack_finite(const invman_i_pack *pack) {
  return invman_i_all_finite((const double *)pack->v, pack->panels * (pack->d + 2) * INVMAN_I_WIDTH);
}

static int invman_i_model_flow_finite(const invman_i_model_flow *f) {
  size_t N = f->model.size;
  return invman_i_all_finite(f->base, N) && invman_i_all_finite(f->initial, N) && invman_i_all_finite(f->last_G, N) &&
         (!f->velocity || invman_i_all_finite(f->velocity, N));
}

/* Fills a flow whose memory is there; its network is the flow's own copy until all is well. */
static invman_status invman_i_load_flow(invman_i_scope *scope, invman_i_stream *s, invman_flow *f) {
  const invman_i_net_flow *net = invman_i_net_of(f);
  size_t p = f->batch.train->n, k;
  invman_i_move_flow(s, f);
  if (f->scope.status < 0) return scope->status = f->scope.status;
  if (invman_i_check_left(scope, s, 0, 1) < 0) return scope->status;
  s->failed |= !(f->info.t >= 0 && f->info.t <= DBL_MAX) || !(f->info.t_star >= 0 && f->info.t_star <= DBL_MAX);
  s->failed |= !(f->dt > 0 && f->dt <= DBL_MAX) || !(f->typical >= 0);
  s->failed |= !(f->batch.speed >= 0 && f->batch.speed <= DBL_MAX);
  s->failed |= !(f->info.dt >= 0 && f->info.dt <= DBL_MAX) || !(f->info.lambda_max >= 0) ||
               !(f->info.lambda_star >= 0) || !(f->info.test_error >= -1 && f->info.test_error <= 1);
  s->failed |= !(f->info.single_error >= 0) || (f->info.in_single && !f->options.single);
  if (net) {
    scope->status = invman_i_check_net(scope->ctx, net->net);
    s->failed |= !invman_i_pack_finite(&net->start) || !invman_i_pack_finite(&net->grad);
  } else {
    s->failed |= !invman_i_model_flow_finite(invman_i_model_of(f));
  }
  s->failed |= !invman_i_all_finite(f->margin, p) || !invman_i_all_finite(f->batch.rate, p);
  s->failed |= !invman_i_all_finite(f->batch.r, p);
  for (k = 0; k < p; k++)
    s->failed |= !(f->gap[k] >= 0 && f->gap[k] <= DBL_MAX) || !(f->seen[k] >= 0 && f->seen[k] <= f->info.t);
  if (scope->status == INVMAN_OK && s->failed)
    scope->status = invman_i_fail(scope->ctx, INVMAN_E_FORMAT, "the file holds values that no flow has", "byte", s->at);
  return scope->status;
}

/* Opens a flow's file and reads its head; at least `doubles` values follow. */
static invman_status invman_i_open_flow(invman_i_scope *scope, const char *path, const char *kind, invman_i_stream *s,
                                        invman_i_flow_head *head) {
  if (invman_i_open_file(scope, path, kind, s) < 0) return scope->status;
  memset(head, 0, sizeof *head);
  head->model = kind[0] == 'M';
  invman_i_move_flow_head(s, head);
  if (invman_i_check_left(scope, s, invman_i_mul(head->h, head->model ? 3 : invman_i_mul(3, invman_i_add(head->d, 2))),
                          0) == INVMAN_OK &&
      (head->h == 0 || head->d == 0))
    scope->status =
        invman_i_fail(scope->ctx, INVMAN_E_FORMAT, "the file holds values that no flow has", "byte", INVMAN_I_HEAD);
  return scope->status;
}

/* Whether a flow's file belongs to these data and options. */
static invman_status invman_i_match_head(const invman_context *ctx, const invman_i_flow_head *head,
                                         const invman_data *train, const invman_flow_options *o) {
  if (head->p != train->n || head->fingerprint != invman_i_fingerprint(train))
    return invman_i_bad(ctx, "flow_resume: the file was made with other training data");
  if (head->loss != (size_t)o->loss || head->alpha != o->alpha || head->loss_beta != o->loss_beta)
    return invman_i_bad(ctx, "flow_resume: the file was made with another alpha or loss");
  if (head->model &&
      (head->dynamics != (size_t)o->dynamics || (o->dynamics == INVMAN_MOMENTUM && head->momentum != o->momentum)))
    return invman_i_bad(ctx, "flow_resume: the file was made with other dynamics or another momentum");
  return INVMAN_OK;
}

/* A flow that was read, as it was when it was saved; the limits may be other ones now, and so may the tolerances. */
static invman_status invman_i_wake_flow(invman_flow *f) {
  invman_status status;
  f->backend->put_back(f->self_);
  invman_i_eval_start(f);
  invman_i_measure(f);
  if (!f->options.test) f->info.test_error = -1;
  if (f->info.end == INVMAN_END_REST) invman_i_end(f, INVMAN_END_REST);
  else invman_i_check_limits(f);
  status = f->scope.status;
  if (status == INVMAN_OK)
    status = invman_i_check_finite(&f->context, f->f0, f->batch.train->n, "flow: f_0 is not finite");
  if (status == INVMAN_OK)
    status = invman_i_check_finite(&f->context, f->margin, f->batch.train->n, "flow: a margin is not finite");
  return status;
}

invman_status invman_flow_resume(const invman_context *ctx, const char *path, invman_net *net, const invman_data *train,
                                 const invman_flow_options *options, invman_flow **out) {
  invman_i_scope scope = invman_i_open(ctx), result = invman_i_open(ctx);
  invman_i_stream s;
  invman_i_flow_head head;
  invman_flow_options o;
  invman_flow *f = NULL;
  invman_net saved;
  invman_status status;
  if (!out) return invman_i_bad(ctx, "flow_resume: out is NULL");
  *out = NULL;
  if (!net) return invman_i_bad(ctx, "flow_resume: net is NULL");
  memset(&o, 0, sizeof o);
  if (options) o = *options;

  /* The file, and whether it belongs to these data, options and network. */
  if (invman_i_open_flow(&scope, path, "FLOW", &s, &head) < 0) return invman_i_close(&scope);
  o.single = head.single == 1;
  if (!invman_i_net_take(&result, head.h, head.d, &saved)) {
    scope.status = invman_i_close(&result);
    return invman_i_close(&scope);
  }
  status = invman_i_check_net_flow(ctx, &saved, train, &o);
  if (status == INVMAN_OK) status = invman_i_match_head(ctx, &head, train, &o);
  if (status == INVMAN_OK && net->w && (net->h != head.h || net->d != head.d || !net->b || !net->beta))
    status = invman_i_bad(ctx, "flow_resume: the network has another shape than the file's");
  if (status == INVMAN_OK) status = invman_i_make_flow(ctx, &saved, train, &o, &f);
  if (status == INVMAN_OK) status = invman_i_load_flow(&scope, &s, f);
  if (status == INVMAN_OK) status = invman_i_wake_flow(f);
  scope.status = status;
  if (status < 0) {
    invman_flow_free(f);
    invman_i_close(&result);
    return invman_i_close(&scope);
  }
  if (net->w) {
    invman_i_copy_weights(&saved, net);
    invman_i_close(&result);
  } else {
    *net = saved;
  }
  invman_i_net_of(f)->net = net;
  f->shown = net;
  *out = f;
  return invman_i_close(&scope);
}

invman_status invman_flow_resume_model(const invman_context *ctx, const char *path, const invman_model *model,
                                       const invman_data *train, const invman_flow_options *options,
                                       invman_flow **out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_stream s;
  invman_i_flow_head head;
  invman_flow_options o;
  invman_flow *f = NULL;
  invman_status status;
  if (!out) return invman_i_bad(ctx, "flow_resume: out is NULL");
  *out = NULL;
  memset(&o, 0, sizeof o);
  if (options) o = *options;
  if (invman_i_open_flow(&scope, path, "MFLO", &s, &head) < 0) return invman_i_close(&scope);
  status = invman_i_check_model(ctx, model, train, &o);
  if (status == INVMAN_OK) status = invman_i_match_head(ctx, &head, train, &o);
  if (status == INVMAN_OK && model->size != head.h)
    status = invman_i_bad(ctx, "flow_resume: the model has another size than the file's");
  if (status == INVMAN_OK) status = invman_i_make_model_flow(ctx, model, train, &o, &f);
  if (status == INVMAN_OK) status = invman_i_load_flow(&scope, &s, f);
  if (status == INVMAN_OK) {
    invman_i_model_flow *self_ = invman_i_model_of(f);
    memcpy(self_->here, model->weights, model->size * sizeof *self_->here);
    status = invman_i_wake_flow(f);
    if (status < 0) invman_i_model_set(self_, self_->here);
  }
  if (status < 0) invman_flow_free(f);
  else *out = f;
  scope.status = status;
  return invman_i_close(&scope);
}

#ifndef INVMAN_NO_CONVNET
/* ---- a convolutional network's file */

static void invman_i_move_convnet_options(invman_i_stream *s, invman_convnet_options *o) {
  invman_i_move_size(s, &o->channels);
  invman_i_move_size(s, &o->height);
  invman_i_move_size(s, &o->width);
  invman_i_move_double(s, &o->width_factor);
  invman_i_move_size(s, &o->blocks);
  invman_i_move_size(s, &o->layers);
  invman_i_move_size(s, &o->memory);
}

static void invman_i_convnet_items(invman_i_stream *s, void *arg) {
  invman_convnet *net = (invman_convnet *)arg;
  invman_i_move_convnet_options(s, &net->options);
  invman_i_move_doubles(s, net->w, net->size);
}

invman_status invman_convnet_save(const invman_convnet *net, const char *path) {
  invman_convnet items;
  invman_status status;
  if (!net) return INVMAN_E_ARG;
  status = invman_i_check_finite(&net->context, net->w, net->size, "convnet_save: a weight is not finite");
  if (status < 0) return status;
  items = *net;
  return invman_i_write_file(&net->context, path, "CONV", invman_i_convnet_items, &items);
}

invman_status invman_convnet_load(const invman_context *ctx, const char *path, invman_convnet **out) {
  invman_i_scope scope = invman_i_open(ctx);
  invman_i_stream s;
  invman_convnet_options o;
  invman_convnet *net = NULL;
  if (!out) return invman_i_bad(ctx, "convnet_load: out is NULL");
  *out = NULL;
  memset(&o, 0, sizeof o);
  if (invman_i_open_file(&scope, path, "CONV", &s) < 0) return invman_i_close(&scope);
  invman_i_move_convnet_options(&s, &o);
  if (s.failed || invman_i_check_convnet_options(NULL, &o) < 0) {
    scope.status =
        invman_i_fail(ctx, INVMAN_E_FORMAT, "the file holds options that no network has", "byte", INVMAN_I_HEAD);
    return invman_i_close(&scope);
  }
  if (invman_i_check_left(&scope, &s, invman_i_layer_count(&o), 0) < 0) return invman_i_close(&scope);
  scope.status = invman_i_plan_convnet(ctx, &o, &net);
  if (scope.status == INVMAN_OK && invman_i_check_left(&scope, &s, net->size, 1) == INVMAN_OK)
    scope.status = invman_i_weights_take(net);
  if (scope.status == INVMAN_OK) {
    invman_i_move_doubles(&s, net->w, net->size);
    scope.status = invman_i_check_finite(ctx, net->w, net->size, "convnet_load: a weight is not finite");
  }
  if (scope.status < 0) invman_convnet_free(net);
  else *out = net;
  return invman_i_close(&scope);
}
#endif /* INVMAN_NO_CONVNET */
#endif /* INVMAN_NO_IO */

INVMAN_I_HOT

#undef INVMAN_I_COUNT
#undef INVMAN_I_COLD
#undef INVMAN_I_HOT
#undef INVMAN_I_FORK
#undef INVMAN_I_WIDER
#undef INVMAN_I_VECTORS
#undef INVMAN_I_BASE
#undef INVMAN_I_INLINE
#undef INVMAN_I_UNROLL
#undef INVMAN_I_UNROLL_FEW
#undef INVMAN_I_LANEWISE
#undef INVMAN_I_EITHERWISE
#undef INVMAN_I_AS
#undef INVMAN_I_POSITIVE
#undef INVMAN_I_KERNEL
#undef INVMAN_I_PAIRS
#undef INVMAN_I_PANELS
#undef INVMAN_I_PART
#undef INVMAN_I_PART_FOR
#undef INVMAN_I_KERNELS
#undef INVMAN_I_ROWS
#undef INVMAN_I_UNITS
#undef INVMAN_I_FNV_START
#undef INVMAN_I_TILE_ROWS
#undef INVMAN_I_TILE_LANES
#undef INVMAN_I_WHOLE
#undef INVMAN_I_LEFT_HALF
#undef INVMAN_I_TWO_TO
#undef INVMAN_I_WIDER
#undef INVMAN_I_ROUNDED
#undef INVMAN_I_CHOICE
#undef INVMAN_I_TRY_SHRINK
#undef INVMAN_I_CONTRADICTS
#undef INVMAN_I_CONV_ROWS
#undef INVMAN_I_CONV_SPAN
#undef INVMAN_I_CONV_RUN
#undef INVMAN_I_POSIX
#undef INVMAN_I_REASONS
#undef INVMAN_I_IS_SEPARATOR

#ifdef INVMAN_PORTABLE /* what follows is the caller's */
#if defined(__clang__)
#pragma STDC FP_CONTRACT DEFAULT
#elif defined(__GNUC__) && !defined(__TINYC__)
#pragma GCC pop_options
#elif defined(_MSC_VER)
#pragma fp_contract(on)
#endif
#endif

#endif /* INVMAN_I_IMPLEMENTED */

#ifdef INVMAN_I_CAPITALS
#undef INVMAN_I_CAPITALS
#pragma pop_macro("A")
#pragma pop_macro("B")
#pragma pop_macro("C")
#pragma pop_macro("D")
#pragma pop_macro("E")
#pragma pop_macro("F")
#pragma pop_macro("G")
#pragma pop_macro("H")
#pragma pop_macro("J")
#pragma pop_macro("K")
#pragma pop_macro("L")
#pragma pop_macro("M")
#pragma pop_macro("N")
#pragma pop_macro("O")
#pragma pop_macro("P")
#pragma pop_macro("Q")
#pragma pop_macro("R")
#pragma pop_macro("S")
#pragma pop_macro("T")
#pragma pop_macro("U")
#pragma pop_macro("V")
#pragma pop_macro("W")
#pragma pop_macro("X")
#pragma pop_macro("Y")
#pragma pop_macro("Z")
#endif

/* ---------------------------------------------------------------------------------------- revision history

   0.8.0  sections in the order in which data flow; backends; names that say what is computed: INVMAN_EVENT_DRIVEN (was
          CHAIN), invman_centred_singular_values (detail_spectrum), invman_mix_with_identity (mixing_residual),
          invman_convnet_jacobian (convnet_gradients), invman_cumulative_power (label_power), invman_hessian_spectrum
          (growth_rates), invman_mst_length and _dimension (tree_*); relative_tol for models, which rotation_tol no
          longer is; INVMAN_NO_CONVNET and its kin leave sections out; make install, a shared library. New: kernels of
          deeper networks (invman_ntk_gram_deep), kernels whose metric is learned (invman_rfm_train, invman_rfm_predict,
          invman_kernel_agop), regression in the lazy regime (invman_lazy_regression), box-constrained quadratic
          programs and with them the max-margin point (invman_box_qp)
   0.7.0  lazy flow in twofold precision where doubles do not decide; invman_eigh_top looks for copies that it may have
          missed; invman_model_check, and runs end where a model contradicts itself; invman_file_create and its kin,
          unique temporaries, devices written to; CSV with one separator, a header that is one, numbers in any locale;
          INVMAN_NO_IMPLEMENTATION. Changed: invman_fit_power_law takes a context first, and what no data tell has
          infinite errors and intervals; invman_local_dimension divides by k - 1 (INVMAN_LID_AMSALEG: k);
          invman_mutual_information knows unbalanced and tied labels; invman_sinkhorn's residual is that of its M;
          directions that tie with the null are not found; a NULL path is E_ARG
   0.6.0  diagnostics: spectra, kernels and labels, subspaces, informative directions before training, neural collapse,
          intrinsic dimension, diffusion entropy, curvature and pieces, doubly stochastic mixing; INVMAN_PORTABLE's own
          exponential and logarithm; results that overflow are refused, with their element
   0.5.0  single precision as an option; far points looked at when a bound says so; vectors of all widths twice as fast
          in products and eigensolver; INVMAN_PORTABLE
   0.4.0  the flow of any model, given by callbacks; the paper's convolutional network; momentum dynamics
   0.3.0  theory of the stripe model: averages, attractors, neuron equations; exponents of medians with intervals
   0.2.0  tangent kernels, exact lazy flow, symmetric eigensolver, kernel principal components, mutual information,
          intrinsic dimension, power laws; BLAS as an option
   0.1.0  random numbers, data, network, gradient flow in the feature regime, Lambda

   ------------------------------------------------------------------------------------------------ licence

   This software is available under two licences; choose whichever you prefer.

   A - Unlicense (public domain)
   This is free and unencumbered software released into the public domain. Anyone is free to copy, modify, publish,
   use, compile, sell, or distribute this software, either in source code form or as a compiled binary, for any
   purpose, commercial or non-commercial, and by any means. In jurisdictions that recognize copyright laws, the author
   or authors of this software dedicate any and all copyright interest in the software to the public domain. We make
   this dedication for the benefit of the public at large and to the detriment of our heirs and successors. We intend
   this dedication to be an overt act of relinquishment in perpetuity of all present and future rights to this software
   under copyright law.

   B - MIT
   Copyright (c) 2026 the authors of invman.h
   Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
   documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
   rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to
   permit persons to whom the Software is furnished to do so, subject to the following conditions: the above copyright
   notice and this permission notice shall be included in all copies or substantial portions of the Software.

   THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
   WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
   COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
   OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE. */
