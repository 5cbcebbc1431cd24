/* Saving: what is under a name is whole, and what is no plain file stays what it is. */

#ifdef TEST_POSIX
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "race.c"

static invman_error files_error;

static invman_context files_context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(&files_error, 0, sizeof files_error);
  ctx.error = &files_error;
  return ctx;
}

/* Saves a text under a name. */
static invman_status save_text(const char *path, const char *text) {
  invman_context ctx = files_context();
  invman_file *file = NULL;
  invman_status status = invman_file_create(&ctx, path, &file);
  CHECK((status == INVMAN_OK) == (file != NULL));
  if (status < 0) return status;
  CHECK(invman_file_stream(file) != NULL);
  fputs(text, (FILE *)invman_file_stream(file));
  return invman_file_commit(file);
}

static int holds_text(const char *path, const char *text) {
  size_t size = 0;
  char *bytes = file_exists(path) ? (char *)read_bytes(path, &size) : NULL;
  int same = bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
  free(bytes);
  return same;
}

/* An empty directory of a test's own, and a path in it. */
static char files_dir[400];
static void files_open(const char *name) {
  char command[900];
  snprintf(files_dir, sizeof files_dir, "%s/files.%s", test_dir, name);
  snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", files_dir, files_dir);
  if (system(command) != 0) {
    printf("FAIL a directory for the tests of files cannot be made: %s\n", files_dir);
    exit(1);
  }
}
static const char *files_path(const char *name) {
  static char path[4][5000];
  static int next;
  char *p = path[next++ % 4];
  if (snprintf(p, 5000, "%s/%s", files_dir, name) >= 5000) exit(1);
  return p;
}
static size_t files_count(void) { /* all that the directory holds */
  DIR *list = opendir(files_dir);
  struct dirent *entry;
  size_t count = 0;
  CHECK(list != NULL);
  while (list && (entry = readdir(list)) != NULL) count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
  if (list) closedir(list);
  return count;
}

static mode_t mode_of(const char *path) {
  struct stat info;
  return lstat(path, &info) == 0 ? info.st_mode : 0;
}

static int refused(invman_status status, const char *why) {
  int good = status == INVMAN_E_IO && files_error.what && strstr(files_error.what, why);
  if (!good) printf("  status %d, %s; wanted: %s\n", (int)status, files_error.what ? files_error.what : "", why);
  return good;
}

static void files_links(void) { /* are followed, and stay; so is one to nothing yet */
  static const struct {
    const char *link, *target, *file;
  } links[] = {{"relative", "there", "there"},           {"chain", "relative", "there"},
               {"into", "inner/x", "inner/x"},           {"inner/up", "../other", "other"},
               {"through", "inner/up", "other"},         {"dots", "./inner/../dotted", "dotted"},
               {"to_nothing", "inner/new", "inner/new"}, {"a.tmp", "marked", "marked"}};
  char absolute[600], here[300];
  size_t k, before;
  files_open("links");
  CHECK(mkdir(files_path("inner"), 0755) == 0);
  CHECK(save_text(files_path("there"), "old") == INVMAN_OK && save_text(files_path("inner/x"), "old") == INVMAN_OK);
  for (k = 0; k < sizeof links / sizeof *links; k++) {
    char text[32];
    CHECK(symlink(links[k].target, files_path(links[k].link)) == 0);
    snprintf(text, sizeof text, "text %d", (int)k);
    CHECK(save_text(files_path(links[k].link), text) == INVMAN_OK);
    CHECK(S_ISLNK(mode_of(files_path(links[k].link))) && S_ISREG(mode_of(files_path(links[k].file))));
    CHECK(holds_text(files_path(links[k].file), text) && holds_text(files_path(links[k].link), text));
  }
  CHECK(getcwd(here, sizeof here) != NULL);
  snprintf(absolute, sizeof absolute, "%s%s%s", files_dir[0] == '/' ? "" : here, files_dir[0] == '/' ? "" : "/",
           files_path("far"));
  CHECK(symlink(absolute, files_path("absolute")) == 0);
  CHECK(save_text(files_path("absolute"), "far away") == INVMAN_OK && holds_text(files_path("far"), "far away"));
  CHECK(S_ISLNK(mode_of(files_path("absolute"))));

  before = files_count();
  CHECK(symlink("loop", files_path("loop")) == 0 && symlink("inner", files_path("directory")) == 0);
  CHECK(symlink("no/where", files_path("nowhere")) == 0 && symlink("fresh/", files_path("slash")) == 0);
  CHECK(refused(save_text(files_path("loop"), "x"), "cannot be created: too many symbolic links"));
  CHECK(refused(save_text(files_path("directory"), "x"), "cannot be created: the name is a directory's"));
  CHECK(refused(save_text(files_path("nowhere"), "x"), "cannot be created: there is no such directory"));
  CHECK(refused(save_text(files_path("slash"), "x"), "cannot be created: the name is a directory's"));
  CHECK(files_count() == before + 4 && S_ISLNK(mode_of(files_path("loop"))) &&
        S_ISLNK(mode_of(files_path("directory"))));
}

static void files_modes(void) { /* are kept; a new file has what the mask leaves */
  static const mode_t modes[] = {0600, 0640, 0644, 0444, 0400, 0755, 0666, 04711, 0200};
  mode_t mask = umask(027);
  struct stat info;
  size_t k;
  files_open("modes");
  CHECK(save_text(files_path("new"), "x") == INVMAN_OK && (mode_of(files_path("new")) & 07777) == 0640);
  for (k = 0; k < sizeof modes / sizeof *modes; k++) {
    CHECK(chmod(files_path("new"), modes[k]) == 0);
    CHECK(save_text(files_path("new"), "y") == INVMAN_OK && (mode_of(files_path("new")) & 07777) == modes[k]);
  }
  umask(mask);
  if (geteuid() != 0) return;
  for (k = 0; k < 2; k++) { /* the owner too, by a link as well */
    CHECK(chown(files_path("new"), 1234, 2345) == 0 && chmod(files_path("new"), 04750) == 0);
    CHECK(k == 0 || symlink("new", files_path("link")) == 0);
    CHECK(save_text(files_path(k == 0 ? "new" : "link"), "z") == INVMAN_OK);
    CHECK(stat(files_path("new"), &info) == 0 && info.st_uid == 1234 && info.st_gid == 2345);
    CHECK((info.st_mode & 07777) == 04750);
  }
  /* One who may not give files away: another group gets no more than everybody. */
  CHECK(chmod(files_dir, 0777) == 0 && chmod(files_path("new"), 04764) == 0);
  CHECK(setegid(65534) == 0 && seteuid(65534) == 0);
  CHECK(save_text(files_path("new"), "mine") == INVMAN_OK);
  CHECK(seteuid(0) == 0 && setegid(0) == 0);
  CHECK(stat(files_path("new"), &info) == 0 && info.st_uid == 65534 && info.st_gid == 65534);
  CHECK((info.st_mode & 07777) == 0744 && holds_text(files_path("new"), "mine"));
}

static void files_of_others_stay(void) {
  static const char *const names[] = {"a.tmp", "a.tmp1", "a.tmpabcdefgh", "a~", "a.bak", ".a.tmp"};
  size_t k, n = sizeof names / sizeof *names;
  invman_net net = random_net(3, 2, 1);
  files_open("others");
  for (k = 0; k < n; k++) write_bytes(files_path(names[k]), names[k], strlen(names[k]));
  CHECK(save_text(files_path("a"), "text") == INVMAN_OK && invman_net_save(NULL, &net, files_path("a")) == INVMAN_OK);
  for (k = 0; k < n; k++) CHECK(holds_text(files_path(names[k]), names[k]));
  CHECK(files_count() == n + 1);
  CHECK(save_text(files_path("a.tmp"), "also") == INVMAN_OK && holds_text(files_path("a.tmp"), "also"));
  CHECK(files_count() == n + 1);
  invman_net_free(NULL, &net);
}

static void files_discarded(void) {
  invman_context ctx = files_context();
  invman_file *file[3];
  size_t k;
  files_open("discarded");
  CHECK(invman_file_create(&ctx, files_path("a"), &file[0]) == INVMAN_OK && files_count() == 1);
  CHECK(!file_exists(files_path("a")));
  invman_file_discard(file[0]);
  CHECK(files_count() == 0 && invman_file_check(&ctx, files_path("a")) == INVMAN_OK && files_count() == 0);
  CHECK(save_text(files_path("a"), "old") == INVMAN_OK && invman_file_check(&ctx, files_path("a")) == INVMAN_OK);
  for (k = 0; k < 3; k++) { /* three at once: each its own, the last to be named stays */
    CHECK(invman_file_create(&ctx, files_path("a"), &file[k]) == INVMAN_OK);
    fprintf((FILE *)invman_file_stream(file[k]), "%d", (int)k);
  }
  CHECK(files_count() == 4 && holds_text(files_path("a"), "old"));
  CHECK(invman_file_commit(file[2]) == INVMAN_OK && holds_text(files_path("a"), "2"));
  CHECK(invman_file_commit(file[0]) == INVMAN_OK && holds_text(files_path("a"), "0"));
  invman_file_discard(file[1]);
  CHECK(files_count() == 1 && holds_text(files_path("a"), "0"));
  invman_file_discard(NULL);
  CHECK(invman_file_commit(NULL) == INVMAN_E_ARG && invman_file_stream(NULL) == NULL);
  CHECK(invman_file_create(&ctx, "", &file[0]) == INVMAN_E_ARG && file[0] == NULL);
  CHECK(invman_file_create(&ctx, NULL, &file[0]) == INVMAN_E_ARG &&
        invman_file_create(&ctx, "a", NULL) == INVMAN_E_ARG);
  CHECK(invman_file_check(&ctx, "") == INVMAN_E_ARG && invman_file_check(&ctx, NULL) == INVMAN_E_ARG);
}

static void files_refused(void) { /* with the reason, and nothing is left; by the question before as well */
  static const struct {
    const char *name, *why;
  } bad[] = {{".", "the name is a directory's"},       {"..", "the name is a directory's"},
             {"inner", "the name is a directory's"},   {"inner/", "the name is a directory's"},
             {"inner//", "the name is a directory's"}, {"new/", "the name is a directory's"},
             {"plain/", "the name is a directory's"},  {"plain/x", "a part of its path is no directory"},
             {"none/x", "there is no such directory"}, {"none/x/y", "there is no such directory"}};
  invman_context ctx = files_context();
  char name[300];
  size_t k;
  files_open("refused");
  CHECK(mkdir(files_path("inner"), 0755) == 0 && save_text(files_path("plain"), "kept") == INVMAN_OK);
  for (k = 0; k < sizeof bad / sizeof *bad; k++) {
    CHECK(refused(save_text(files_path(bad[k].name), "x"), bad[k].why));
    CHECK(refused(invman_file_check(&ctx, files_path(bad[k].name)), bad[k].why));
  }
  memset(name, 'n', 256);
  name[256] = 0;
  CHECK(refused(save_text(files_path(name), "x"), "its name is too long"));
  CHECK(files_count() == 2 && holds_text(files_path("plain"), "kept"));
  if (geteuid() != 0) return;
  CHECK(seteuid(65534) == 0); /* to whom the directory is closed */
  CHECK(refused(save_text(files_path("x"), "x"), "permission is denied"));
  CHECK(refused(save_text(files_path("plain"), "x"), "permission is denied"));
  CHECK(refused(invman_file_check(&ctx, files_path("plain")), "permission is denied"));
  CHECK(seteuid(0) == 0);
  CHECK(files_count() == 2 && holds_text(files_path("plain"), "kept"));
}

static void files_names(void) { /* of every length that the system allows, in one or more bytes a letter; anywhere */
  static const char *const letters[] = {"n", "\xc3\xa9", "\xe2\x88\x9e", "\xf0\x9f\x98\x80"};
  char name[5000], here[300];
  size_t k, n;
  files_open("names");
  for (k = 0; k < 4; k++)
    for (n = 1; n * strlen(letters[k]) <= 255; n++) {
      size_t i;
      if (n > 15 && n * strlen(letters[k]) < 240 && n % 64) continue;
      for (i = 0; i < n; i++) memcpy(name + i * strlen(letters[k]), letters[k], strlen(letters[k]) + 1);
      CHECK(save_text(files_path(name), "long") == INVMAN_OK && holds_text(files_path(name), "long"));
      CHECK(save_text(files_path(name), "longer") == INVMAN_OK && holds_text(files_path(name), "longer"));
      CHECK(files_count() == 1 && remove(files_path(name)) == 0);
    }
  CHECK(getcwd(here, sizeof here) && chdir(files_dir) == 0); /* relative paths */
  CHECK(save_text("a", "x") == INVMAN_OK && save_text("./b", "x") == INVMAN_OK && mkdir("c", 0755) == 0);
  CHECK(save_text("c/../d", "x") == INVMAN_OK && save_text("c//e", "x") == INVMAN_OK);
  CHECK(holds_text("a", "x") && holds_text("b", "x") && holds_text("d", "x") && holds_text("c/e", "x"));
  strcpy(name, "deep"); /* and the longest path that there is */
  while (mkdir(name, 0755) == 0 && strlen(name) + 101 < 4000) snprintf(name + strlen(name), 102, "/%0100d", 0);
  strcat(name, "/last");
  CHECK(mkdir(name, 0755) == 0);
  strcat(name, "/");
  n = strlen(name);
  memset(name + n, 'f', 4095 - n);
  name[4095] = 0;
  CHECK(n < 4070 && save_text(name, "deep") == INVMAN_OK && holds_text(name, "deep"));
  CHECK(save_text(name, "deeper") == INVMAN_OK && holds_text(name, "deeper") && left_beside(name) == 0);
  CHECK(chdir(here) == 0);
  files_open("names"); /* which empties it */
}

/* ---- what is no plain file */

/* A character device of the memory driver in the test's own directory; 0: this system or user has none. */
static int make_device(char path[512], const char *name, int minor) {
  char command[700];
  FILE *file;
  snprintf(path, 512, "%s", in_test_dir(name));
  snprintf(command, sizeof command, "rm -f '%s' && mknod '%s' c 1 %d 2>&1", path, path, minor);
#ifdef __linux__
  file = geteuid() == 0 && system(command) == 0 ? fopen(path, "rb") : NULL;
#else
  (void)command;
  file = NULL;
#endif
  if (!file) test_skip("device nodes can be made by Linux's root alone");
  else fclose(file);
  return file != NULL;
}

static void files_devices(void) { /* take what they are given, and stay, by a link as well */
  char null[512], full[512];
  invman_context ctx = files_context();
  invman_net net = random_net(30, 20, 1);
  struct stat before, after;
  int k;
  files_open("devices");
  if (make_device(null, "files.devices/null", 3) && make_device(full, "files.devices/full", 7)) {
    CHECK(symlink("null", files_path("link")) == 0 && stat(null, &before) == 0);
    for (k = 0; k < 2; k++) {
      const char *path = k == 0 ? null : files_path("link");
      CHECK(save_text(path, "text") == INVMAN_OK && invman_net_save(&ctx, &net, path) == INVMAN_OK);
      CHECK(invman_file_check(&ctx, path) == INVMAN_OK);
      CHECK(stat(null, &after) == 0 && S_ISCHR(after.st_mode) && after.st_rdev == before.st_rdev);
      CHECK(after.st_ino == before.st_ino && after.st_mode == before.st_mode);
    }
    CHECK(S_ISLNK(mode_of(files_path("link"))) && files_count() == 3);
    CHECK(refused(save_text(full, "text"), "the file cannot be written: the disk is full"));
    CHECK(refused(invman_net_save(&ctx, &net, full), "the file cannot be written: the disk is full"));
    CHECK(S_ISCHR(mode_of(full)) && files_count() == 3);
  }
  invman_net_free(NULL, &net);
}

static void files_fifos(void) { /* hand on what they are given, all of it, once */
  invman_context ctx = files_context();
  invman_net net = random_net(150, 90, 1); /* more than a pipe holds */
  unsigned char *bytes;
  struct pollfd watch;
  size_t size;
  pid_t child;
  int status = -1;
  files_open("fifos");
  CHECK(invman_net_save(NULL, &net, files_path("plain")) == INVMAN_OK);
  CHECK(mkfifo(files_path("fifo"), 0600) == 0);
  watch.fd = open(files_path("fifo"), O_RDONLY | O_NONBLOCK);
  watch.events = POLLIN;
  CHECK(watch.fd >= 0 && invman_file_check(&ctx, files_path("fifo")) == INVMAN_OK);
  CHECK(poll(&watch, 1, 0) == 0 && close(watch.fd) == 0); /* who reads has not seen it come and go */
  fflush(NULL);
  child = fork();
  if (child == 0) {
    FILE *in = fopen(files_path("fifo"), "rb"), *out = fopen(files_path("copy"), "wb");
    int c;
    while (in && out && (c = getc(in)) != EOF) putc(c, out);
    _exit(!in || !out || fclose(out) != 0);
  }
  CHECK(invman_net_save(NULL, &net, files_path("fifo")) == INVMAN_OK);
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  CHECK(S_ISFIFO(mode_of(files_path("fifo"))) && files_count() == 3);
  bytes = read_bytes(files_path("plain"), &size);
  {
    size_t copied;
    unsigned char *copy = read_bytes(files_path("copy"), &copied);
    CHECK(size > 100000 && copied == size && memcmp(copy, bytes, size) == 0);
    free(copy);
  }
  free(bytes);
  invman_net_free(NULL, &net);
}

/* What a child without rights writes on `descriptor`, open on a new file, by its number before and after and by `path` between; 3 is
   the child's status where saving fails. */
static int written_beside(int descriptor, const char *path, const char *out) {
  pid_t child;
  int status = -1;
  fflush(NULL);
  child = fork();
  if (child == 0) {
    int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || dup2(fd, descriptor) != descriptor) _exit(1);
    if (fd != descriptor) close(fd);
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1); /* whatever is wrong, /dev stays as it is */
    if (descriptor == 1) printf("before ");
    else if (write(descriptor, "before ", 7) != 7) _exit(2);
    if (save_text(path, "saved ") != INVMAN_OK) _exit(3);
    if (descriptor == 1) printf("after"), fflush(stdout);
    else if (write(descriptor, "after", 5) != 5) _exit(2);
    _exit(0);
  }
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void files_descriptors(void) { /* and the names of open ones: nothing that goes there is lost or cut off */
  static const struct {
    int descriptor;
    const char *path;
  } names[] = {{1, "/dev/stdout"},
               {2, "/dev/stderr"},
               {1, "/dev/fd/1"},
               {9, "/dev/fd/9"}
#ifdef __linux__
               ,
               {1, "/proc/self/fd/1"},
               {7, "/proc/self/fd/7"},
               {1, "link"},
               {1, "/dev/../dev/stdout"}
#endif
  };
  size_t k;
  files_open("descriptors");
  CHECK(symlink("/dev/stdout", files_path("link")) == 0);
  for (k = 0; k < sizeof names / sizeof *names; k++) {
    const char *path = names[k].path[0] == '/' ? names[k].path : files_path(names[k].path);
    if (access("/dev/fd", F_OK) != 0) test_skip("no /dev/fd");
    if (access("/dev/fd", F_OK) != 0) return;
    CHECK(written_beside(names[k].descriptor, path, files_path("out")) == 0);
    CHECK(holds_text(files_path("out"), "before saved after") && files_count() == 2);
  }
  CHECK(refused(save_text("/dev/fd/987654", "x"), "the file cannot be created"));
  CHECK(S_ISLNK(mode_of(files_path("link"))));
}

/* ---- a disk that is full: at every byte of a text, from the first write on or at its end */

static void files_full(void) {
  static char text[20001];
  struct rlimit was, low;
  void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
  size_t limit, n = sizeof text - 1;
  files_open("full");
  memset(text, 't', n);
  CHECK(save_text(files_path("a"), "old") == INVMAN_OK && getrlimit(RLIMIT_FSIZE, &was) == 0);
  low = was;
  fflush(NULL);
  for (limit = 0; limit <= n && test_failures == 0; limit += limit < 20 || limit + 20 > n ? 1 : 97) {
    invman_status status;
    low.rlim_cur = (rlim_t)limit;
    CHECK(setrlimit(RLIMIT_FSIZE, &low) == 0);
    status = save_text(files_path("a"), text);
    CHECK(setrlimit(RLIMIT_FSIZE, &was) == 0);
    if (limit >= n) CHECK(status == INVMAN_OK && holds_text(files_path("a"), text));
    else CHECK(refused(status, "the file cannot be written: it is too large") && holds_text(files_path("a"), "old"));
    CHECK(files_count() == 1);
    if (limit + 97 > n && limit + 20 <= n) limit = n - 20;
  }
  CHECK(limit > n);
  signal(SIGXFSZ, handler);
}

/* ---- two that save and one that reads, one path; tests/race.c: for longer, and by threads too */

static void files_race(void) {
  char path[600];
  files_open("race");
  snprintf(path, sizeof path, "%s", files_path("a"));
  CHECK(race(path, 2, 1, 150, 0) == 0);
  CHECK(files_count() == 1);
}

static void files_tests(void) {
  RUN(files_links);
  RUN(files_modes);
  RUN(files_of_others_stay);
  RUN(files_discarded);
  RUN(files_refused);
  RUN(files_names);
  RUN(files_devices);
  RUN(files_fifos);
  RUN(files_descriptors);
  RUN(files_full);
  RUN(files_race);
}

#else

static void files_tests(void) { printf("skip files_tests: no POSIX on this system\n"); }

#endif
