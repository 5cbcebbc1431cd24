/* Our side of bench/eigen.py: eigen DIRECTORY writes the matrices there, then does what the lines of its input say,
   eigh or top, and answers each with the seconds it took and the ten largest eigenvalues. */
#define _POSIX_C_SOURCE 200809L
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <time.h>

enum { FULL = 2048, GRAM = 4096, D = 5, TOP = 10 };

static double clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double *take(size_t count) {
  double *x = (double *)malloc(count * sizeof(double));
  if (!x) exit(1);
  return x;
}

static void write_matrix(const char *directory, const char *name, const double *A, size_t n) {
  char path[512];
  FILE *file;
  snprintf(path, sizeof path, "%s/%s", directory, name);
  file = fopen(path, "wb");
  if (!file || fwrite(A, sizeof(double), n * n, file) != n * n || fclose(file) != 0) {
    fprintf(stderr, "cannot write %s\n", path);
    exit(1);
  }
}

static double *random_matrix(size_t n) {
  double *A = take(n * n);
  invman_rng rng;
  size_t i, j;
  invman_rng_seed(&rng, 1, 1);
  for (i = 0; i < n; i++)
    for (j = i; j < n; j++) A[i * n + j] = A[j * n + i] = invman_rng_normal(&rng);
  return A;
}

static double *gram_matrix(size_t n) { /* the infinitely wide network's kernel at Gaussian points */
  double *K = take(n * n), *x = take(n * D);
  invman_rng rng;
  size_t i;
  invman_rng_seed(&rng, 1, INVMAN_STREAM_TRAIN);
  for (i = 0; i < n * D; i++) x[i] = invman_rng_normal(&rng);
  if (invman_ntk_gram_infinite(NULL, D, INVMAN_NTK_ALL, x, n, NULL, 0, K) != INVMAN_OK) exit(1);
  free(x);
  return K;
}

static void answer(double seconds, const double *lambda) {
  int k;
  printf("%.6f", seconds);
  for (k = 0; k < TOP; k++) printf(" %.17g", lambda[k]);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  double *A = random_matrix(FULL), *K = gram_matrix(GRAM), *V = take((size_t)FULL * FULL), *phi = take(TOP * GRAM);
  double lambda[FULL], began;
  char line[64];
  write_matrix(argc > 1 ? argv[1] : ".", "bench-full.bin", A, FULL);
  write_matrix(argc > 1 ? argv[1] : ".", "bench-gram.bin", K, GRAM);
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin)) {
    invman_status status;
    memcpy(V, A, (size_t)FULL * FULL * sizeof *V);
    began = clock_now();
    if (strncmp(line, "eigh", 4) == 0) status = invman_eigh(NULL, FULL, V, lambda);
    else status = invman_kernel_pca(NULL, K, NULL, GRAM, TOP, lambda, phi, NULL);
    if (status != INVMAN_OK) return 1;
    answer(clock_now() - began, lambda);
  }
  free(A), free(K), free(V), free(phi);
  return 0;
}
