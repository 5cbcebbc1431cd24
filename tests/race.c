/* Processes and threads that save under one path while others read it: every reader sees a whole file, and in the end
   nothing else is left. Part of the tests; with RACE_MAIN a program:
     race DIRECTORY [SECONDS]   ten times as many in every way, for half a minute */
#ifdef RACE_MAIN
#define _POSIX_C_SOURCE 200809L
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <dirent.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#endif
#ifdef RACE_THREADS
#include <pthread.h>
#endif

typedef struct race_job {
  const char *path;
  size_t rounds, seed; /* how often it is saved; 0: until `end` */
  time_t end;
  long failed;
} race_job;

static invman_net race_net(size_t seed) { /* of a size that the seed sets, to more than a buffer */
  invman_net net;
  invman_rng rng;
  invman_rng_seed(&rng, seed, 1);
  if (invman_net_init(NULL, 1 + seed % 7 * 60, 3, &rng, &net) < 0) _exit(9);
  return net;
}

static int race_goes_on(const race_job *job, size_t round) {
  return job->rounds > 0 ? round < job->rounds : time(NULL) < job->end;
}

static void *race_save(void *arg) {
  race_job *job = (race_job *)arg;
  size_t round;
  for (round = 0; race_goes_on(job, round); round++) {
    invman_net net = race_net(job->seed + round);
    job->failed += invman_net_save(NULL, &net, job->path) != INVMAN_OK;
    invman_net_free(NULL, &net);
  }
  return NULL;
}

static long race_save_all(const race_job *job, size_t threads) { /* how many saves fail */
  race_job each[8];
  long failed = 0;
  size_t k;
#ifdef RACE_THREADS
  pthread_t thread[8];
#endif
  for (k = 0; k < threads; k++) {
    each[k] = *job;
    each[k].seed += 1000 * k;
#ifdef RACE_THREADS
    if (pthread_create(&thread[k], NULL, race_save, &each[k]) != 0) _exit(9);
  }
  for (k = 0; k < threads; k++) {
    pthread_join(thread[k], NULL);
#else
    race_save(&each[k]);
#endif
    failed += each[k].failed;
  }
  return failed;
}

static long race_reads; /* how many there were */

/* `savers` processes of some threads each, and this one that reads. How many saves failed, and reads were of no whole
   file. rounds 0: for so many seconds. */
static long race(const char *path, size_t savers, size_t threads, size_t rounds, size_t seconds) {
  race_job job;
  pid_t child[8];
  invman_net net = race_net(0);
  long wrong = 0;
  size_t k, running = savers;
  memset(&job, 0, sizeof job);
  job.path = path;
  job.rounds = rounds;
  job.end = time(NULL) + (time_t)seconds;
  if (invman_net_save(NULL, &net, path) != INVMAN_OK) return -1;
  invman_net_free(NULL, &net);
  fflush(NULL);
  for (k = 0; k < savers; k++) {
    job.seed = 10 * k;
    child[k] = fork();
    if (child[k] < 0) return -1;
    if (child[k] == 0) _exit(race_save_all(&job, threads) > 0);
  }
  for (race_reads = 0; running > 0; race_reads++) {
    wrong += invman_net_load(NULL, path, &net) != INVMAN_OK;
    invman_net_free(NULL, &net);
    for (k = 0; k < savers; k++) {
      int status;
      if (child[k] == 0 || waitpid(child[k], &status, WNOHANG) != child[k]) continue;
      wrong += status != 0;
      child[k] = 0;
      running--;
    }
  }
  return wrong;
}

#ifdef RACE_MAIN
int main(int argc, char **argv) {
  size_t seconds = argc > 2 ? (size_t)atoi(argv[2]) : 30, files = 0;
  char path[600];
  DIR *list;
  long wrong;
  if (argc < 2 || seconds == 0) return 2;
  snprintf(path, sizeof path, "%s/a", argv[1]);
  wrong = race(path, 2, 3, 0, seconds);
  list = opendir(argv[1]);
  while (list && readdir(list)) files++;
  if (list) closedir(list);
  printf("%s race (%ld reads; %ld of them, or of the saving processes, failed; %d files are left, of 1)\n",
         wrong == 0 && files == 3 ? "ok" : "FAIL", race_reads, wrong, (int)files - 2);
  return wrong != 0 || files != 3;
}
#endif
