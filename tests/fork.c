/* A process that has trained forks: its children, and theirs, compute the same bits, with OpenMP and without. */
#ifndef _WIN32
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#endif

enum { FORK_P = 60, FORK_H = 1000, FORK_D = 5 };
static invman_net fork_net; /* as the parent has trained it */
static double fork_gram[FORK_P * FORK_P];

/* Each call is shared among the threads where there are any. */
static void fork_compute(invman_net *net, double *gram) {
  test_problem q = make_problem(INVMAN_STRIPE, FORK_D, FORK_P, FORK_H, 3);
  invman_flow_options options;
  memset(&options, 0, sizeof options);
  options.step_max = 8;
  CHECK(invman_train(NULL, &q.net, &q.train, &options, NULL) == INVMAN_STOPPED);
  CHECK(invman_ntk_gram(NULL, &q.net, INVMAN_NTK_ALL, q.train.x, FORK_P, NULL, 0, gram) == INVMAN_OK);
  CHECK(invman_net_copy(NULL, &q.net, net) == INVMAN_OK);
  free_problem(&q);
}

static int fork_agrees(void) {
  invman_net net;
  double gram[FORK_P * FORK_P];
  int same;
  fork_compute(&net, gram);
  same = test_failures == 0 && same_net(&net, &fork_net) && same_bits(gram, fork_gram, FORK_P * FORK_P);
  invman_net_free(NULL, &net);
  return same;
}

/* Whether `work` returns 1 in a child; one that waits for threads that it does not have is ended. */
static int fork_child(int (*work)(void)) {
  int state = 0;
  pid_t child;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    alarm(60);
    _exit(work() ? 0 : 1);
  }
  return child > 0 && waitpid(child, &state, 0) == child && WIFEXITED(state) && WEXITSTATUS(state) == 0;
}

static int fork_grandchild(void) { return fork_child(fork_agrees) && fork_agrees() && fork_child(fork_agrees); }

#ifdef _OPENMP
static void *fork_thread(void *arg) {
  *(int *)arg = fork_agrees() && fork_child(fork_grandchild) && fork_agrees();
  return NULL;
}
static int fork_threaded(void) { /* threads that are new in the child, and their children */
  pthread_t thread[2];
  int agrees = fork_agrees(), good[2] = {0, 0}, i;
  for (i = 0; i < 2; i++)
    if (pthread_create(&thread[i], NULL, fork_thread, &good[i]) != 0) return 0;
  for (i = 0; i < 2; i++) pthread_join(thread[i], NULL);
  return agrees && good[0] && good[1] && fork_agrees();
}
#endif

static void fork_trains(void) {
  int i;
#ifdef _OPENMP
  int threads = omp_get_max_threads();
  omp_set_num_threads(3);
#endif
  CHECK(fork_child(fork_grandchild) == 0); /* nothing to agree with yet */
  fork_compute(&fork_net, fork_gram);
  for (i = 0; i < 3; i++) CHECK(fork_child(fork_agrees));
  CHECK(fork_agrees()); /* the parent is as it was */
  CHECK(fork_child(fork_grandchild));
#ifdef _OPENMP
  CHECK(fork_child(fork_threaded));
  omp_set_num_threads(threads);
#endif
  invman_net_free(NULL, &fork_net);
}

static void fork_tests(void) { RUN(fork_trains); }
#else
static void fork_tests(void) {}
#endif
