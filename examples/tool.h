/* tool.h: what the programs of this directory share, and nothing that the library needs. A program includes it after
   #define INVMAN_IMPLEMENTATION, describes itself and its options in two tables, and calls

     start(argc, argv, &program)   reads the command line, answers --help and --version, looks whether what will be
                                   written can be
     begin_work()                  from here on the first SIGINT or SIGTERM sets `interrupted`, a second one ends the
                                   program
     return finish(status)         0, or what the program says; 2 where something could not be saved or shown; 3 where
                                   it was interrupted

   In this order: messages, memory and text, the system (what C alone cannot do), files, JSON, files of JSON lines, what
   is shown, progress, the command line, tables of numbers (CSV, .npy), points and kernels. */
#ifndef TOOL_H
#define TOOL_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../invman.h"
#include <errno.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _WIN32
#include <direct.h>
#include <io.h>
#include <sys/stat.h>
#else
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#endif
#ifdef _OPENMP
#include <omp.h>
#endif

#ifdef __GNUC__
#define TOOL           static __attribute__((unused))
#define TOOL_FORMAT(k) __attribute__((format(printf, k, k + 1)))
#else
#define TOOL static
#define TOOL_FORMAT(k)
#endif

/* ---- a program, and its options */

typedef struct option option;
struct option {
  const char *flag;  /* --p */
  const char *value; /* what its value is called: N; two words: two values; NULL: it has none */
  void (*read)(const option *o, const char *text);
  void *place;          /* where what is read goes */
  double least, most;   /* of what is read; most 0: no bound */
  const char *standard; /* the value where none is given; NULL: none */
  const char *about;    /* for --help, which adds the standard value */
  unsigned modes;       /* the modes that have it, bit k for number k; 0: all */
};

typedef struct mode {
  const char *name, *about, *notes;
} mode;

typedef struct program {
  const char *name, *about; /* one line */
  const char *usage;        /* lines; NULL: NAME [options] */
  const char *notes;        /* below the options; lines are folded */
  const mode *modes;        /* ended by {0}; NULL: it has none */
  const option *options;
  size_t option_count;
} program;

enum { OPTIONS_MOST = 64, WIDTH = 100 }; /* of a program; columns on a terminal */

static struct {
  const program *program;
  unsigned mode;
  int given[OPTIONS_MOST];
  int failed;                               /* something could not be saved */
  int terminal, line;                       /* of stderr; columns of the progress that it shows */
  double every, began, said, before, share; /* of the progress: seconds, and parts of the whole work */
  char about[120];                          /* what is being done */
} tool;

static volatile sig_atomic_t interrupted; /* the signal's number */

/* ---- messages */

TOOL void clear_progress(void) {
  if (tool.line > 0) fprintf(stderr, "\r%*s\r", tool.line, "");
  tool.line = 0;
}

/* One line, whatever the names in it hold. */
TOOL void complain_list(const char *format, va_list list) {
  char line[8192];
  size_t i;
  vsnprintf(line, sizeof line, format, list);
  for (i = 0; line[i]; i++)
    if ((unsigned char)line[i] < 32 || line[i] == 127) line[i] = '?';
  clear_progress();
  fprintf(stderr, "%s: %s\n", tool.program->name, line);
}

TOOL TOOL_FORMAT(1) void fail(const char *format, ...) {
  va_list list;
  fflush(stdout); /* what is known comes first */
  va_start(list, format);
  complain_list(format, list);
  va_end(list);
  exit(2);
}

/* The program goes on, and its exit status will be 2. */
TOOL TOOL_FORMAT(1) void complain(const char *format, ...) {
  va_list list;
  va_start(list, format);
  complain_list(format, list);
  va_end(list);
  tool.failed = 1;
}

/* Something that the exit status tells in another way. */
TOOL TOOL_FORMAT(1) void warn(const char *format, ...) {
  va_list list;
  va_start(list, format);
  complain_list(format, list);
  va_end(list);
}

static invman_error error;

/* Ends the program where a call of the library failed; `about`: the file or the matter at hand. */
TOOL void check(invman_status status, const char *about) {
  if (status >= 0) return;
  if (error.unit && error.unit[0]) fail("%s: %s (%s %lu)", about, error.what, error.unit, (unsigned long)error.place);
  fail("%s: %s", about, error.what ? error.what : invman_status_string(status));
}

/* ---- memory, and text that grows */

/* Room for rows x columns things of so many bytes, all 0. */
TOOL void *zeros(size_t rows, size_t columns, size_t bytes) {
  size_t all = rows * columns;
  void *memory = columns > 0 && rows > SIZE_MAX / columns ? NULL : calloc(all > 0 ? all : 1, bytes);
  if (!memory) fail("out of memory");
  return memory;
}

TOOL double *numbers(size_t rows, size_t columns) { return (double *)zeros(rows, columns, sizeof(double)); }

/* A block for twice as many things of so many bytes, at least 64, in place of the old one. */
TOOL void *enlarge(void *block, size_t *room, size_t bytes) {
  size_t more = *room > 0 ? 2 * *room : 64;
  block = more > SIZE_MAX / 2 / bytes ? NULL : realloc(block, more * bytes);
  if (!block) fail("out of memory");
  *room = more;
  return block;
}

typedef struct text {
  char *at; /* NULL, or `length` bytes and a 0 */
  size_t length, room;
} text;

TOOL void put_bytes(text *t, const void *bytes, size_t n) {
  while (t->room - t->length <= n) t->at = (char *)enlarge(t->at, &t->room, 1);
  memcpy(t->at + t->length, bytes, n);
  t->at[t->length += n] = 0;
}

TOOL TOOL_FORMAT(2) void put(text *t, const char *format, ...) {
  for (;;) {
    size_t left = t->room - t->length;
    va_list list;
    int length;
    va_start(list, format);
    length = vsnprintf(left > 0 ? t->at + t->length : NULL, left, format, list);
    va_end(list);
    if (length < 0) fail("out of memory");
    if ((size_t)length < left) {
      t->length += (size_t)length;
      return;
    }
    t->at = (char *)enlarge(t->at, &t->room, 1);
  }
}

/* A comma, and a number of a CSV: nothing where there is none. */
TOOL void put_value(text *t, double value) {
  if (value > DBL_MAX) put(t, ",inf");
  else if (value < -DBL_MAX) put(t, ",-inf");
  else if (value == value) put(t, ",%.9g", value);
  else put(t, ",");
}

TOOL void drop(text *t) {
  free(t->at);
  memset(t, 0, sizeof *t);
}

/* first, middle and last, one behind the other; to be freed */
TOOL char *joined(const char *first, const char *middle, const char *last) {
  text t = {NULL, 0, 0};
  put(&t, "%s%s%s", first, middle, last);
  return t.at;
}

typedef struct paths {
  char **at;
  size_t count, room;
} paths;

TOOL void add_name(paths *all, char *name) {
  if (all->count == all->room) all->at = (char **)enlarge(all->at, &all->room, sizeof *all->at);
  all->at[all->count++] = name;
}

/* ---- the system */

enum { NOTHING, PLAIN, FOLDER, DEVICE }; /* what a path leads to; a device may also be a FIFO or a socket */

#ifdef _WIN32

TOOL double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; } /* there it is not of the processor */
TOOL int is_terminal(FILE *file) { return _isatty(_fileno(file)); }
TOOL int make_folder(const char *path) { return _mkdir(path); }
TOOL int cut_file(FILE *file, long length) { return _chsize(_fileno(file), length); }
TOOL void open_descriptors(void) {}
TOOL int has_room(const char *path) { return path[0] != 0; } /* not asked */
TOOL FILE *stream_of(const char *path) { return path[0] ? NULL : stdout; }

TOOL int kind_of(const char *path) {
  struct _stat s;
  if (_stat(path, &s) != 0) return NOTHING;
  return s.st_mode & _S_IFDIR ? FOLDER : s.st_mode & _S_IFREG ? PLAIN : DEVICE;
}

/* The paths beside `path` whose names `like` takes for its relatives. */
TOOL paths names_like(const char *path, int (*like)(const char *name, const char *of)) {
  const char *base = strrchr(path, '/') > strrchr(path, '\\') ? strrchr(path, '/') : strrchr(path, '\\');
  size_t length = base ? (size_t)(base + 1 - path) : 0;
  char *folder = joined(path, "", ""), *pattern = joined(path, ".*-of-*", "");
  struct _finddata_t found;
  intptr_t search = _findfirst(pattern, &found);
  paths all = {NULL, 0, 0};
  folder[length] = 0;
  while (search != -1) {
    if (like(found.name, path + length)) add_name(&all, joined(folder, found.name, ""));
    if (_findnext(search, &found) != 0) break;
  }
  if (search != -1) _findclose(search);
  free(folder);
  free(pattern);
  return all;
}

TOOL int same_file(const char *a, const char *b) {
  char *x = _fullpath(NULL, a, 0), *y = _fullpath(NULL, b, 0);
  int same = x && y && !_stricmp(x, y) && kind_of(a) != DEVICE;
  free(x);
  free(y);
  return same;
}

#else

TOOL double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

TOOL int is_terminal(FILE *file) { return isatty(fileno(file)); }
TOOL int make_folder(const char *path) { return mkdir(path, 0777); }
TOOL int cut_file(FILE *file, long length) { return ftruncate(fileno(file), length); }

/* Those of 0 to 2 that are closed: the next file would get their number, and what is printed would go there. */
TOOL void open_descriptors(void) {
  int descriptor;
  do descriptor = open("/dev/null", O_RDWR);
  while (descriptor >= 0 && descriptor < 3);
  if (descriptor >= 3) close(descriptor);
}

TOOL int kind_of(const char *path) {
  struct stat s;
  if (stat(path, &s) != 0) return NOTHING;
  return S_ISDIR(s.st_mode) ? FOLDER : S_ISREG(s.st_mode) ? PLAIN : DEVICE;
}

/* The directory that a path is in. */
TOOL char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  text t = {NULL, 0, 0};
  if (!slash) put(&t, ".");
  else put(&t, "%.*s", slash > path ? (int)(slash - path) : 1, path);
  return t.at;
}

/* Where symbolic links lead, if to nothing yet; NULL: in circles. */
TOOL char *target_of(const char *path) {
  char *name = joined(path, "", ""), link[4096];
  int links;
  for (links = 0; links < 40; links++) {
    ssize_t length = readlink(name, link, sizeof link - 1);
    char *folder = folder_of(name);
    if (length >= 0) {
      link[length] = 0;
      free(name);
      name = link[0] == '/' ? joined(link, "", "") : joined(folder, "/", link);
    }
    free(folder);
    if (length < 0) return name;
  }
  free(name);
  return NULL;
}

/* The paths beside `path` whose names `like` takes for its relatives, in order. */
TOOL paths names_like(const char *path, int (*like)(const char *name, const char *of)) {
  char *folder = folder_of(path);
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  DIR *entries = opendir(folder);
  paths all = {NULL, 0, 0};
  struct dirent *entry;
  while (entries && (entry = readdir(entries)) != NULL)
    if (like(entry->d_name, base)) add_name(&all, joined(folder, "/", entry->d_name));
  if (entries) closedir(entries);
  free(folder);
  return all;
}

static int same_place(const struct stat *s, const struct stat *t) {
  return s->st_dev == t->st_dev && s->st_ino == t->st_ino;
}

static const char *last_name(const char *path) { return strrchr(path, '/') ? strrchr(path, '/') + 1 : path; }

/* Of two names of nothing: whether they would name the same file. */
static int same_new_file(const char *a, const char *b) {
  char *x = target_of(a), *y = target_of(b), *in_x = x ? folder_of(x) : NULL, *in_y = y ? folder_of(y) : NULL;
  struct stat s, t;
  int same = in_x && in_y && !strcmp(last_name(x), last_name(y)) && stat(in_x, &s) == 0 && stat(in_y, &t) == 0 &&
             same_place(&s, &t);
  free(x);
  free(y);
  free(in_x);
  free(in_y);
  return same;
}

/* Whether what is written to one would take the place of what is written to the other; /dev/null takes both. */
TOOL int same_file(const char *a, const char *b) {
  struct stat s, t;
  int x = stat(a, &s) == 0, y = stat(b, &t) == 0;
  if (x && y) return same_place(&s, &t) && !S_ISCHR(s.st_mode);
  return !x && !y && same_new_file(a, b);
}

/* stdout or stderr, where the path leads there; else NULL. */
TOOL FILE *stream_of(const char *path) {
  struct stat s, t;
  if (stat(path, &s) != 0) return NULL;
  if (fstat(1, &t) == 0 && same_place(&s, &t)) return stdout;
  return fstat(2, &t) == 0 && same_place(&s, &t) ? stderr : NULL;
}

/* Whether the disk that the path is on has any room left. */
TOOL int has_room(const char *path) {
  char *folder = folder_of(path);
  struct statvfs s;
  int full = statvfs(folder, &s) == 0 && s.f_blocks > 0 && s.f_bfree == 0;
  free(folder);
  return !full;
}

#endif

/* A name for a file that nothing else has; to be removed, and freed. */
TOOL char *temporary_name(void) {
#ifdef _WIN32
  char *name = _tempnam(NULL, "invman");
  if (!name) fail("no name for a temporary file");
  return name;
#else
  const char *folder = getenv("TMPDIR");
  char *name = joined(folder && *folder ? folder : "/tmp", "/invman", "XXXXXX");
  int descriptor = mkstemp(name);
  if (descriptor < 0) fail("%s: cannot be created: TMPDIR says where", name);
  close(descriptor);
  return name;
#endif
}

/* ---- files: whole, or as they were, as invman_file_create says */

/* What the library says of a file, "the file cannot be created", behind the file's name. */
static const char *reason(invman_status status) {
  const char *what = error.what ? error.what : invman_status_string(status);
  return strncmp(what, "the file ", 9) ? what : what + 9;
}

/* Whether a file is saved; where it is not, this is said, and the exit status will tell. */
TOOL int saved(invman_status status, const char *path) {
  if (status < 0) complain("%s: %s", path, reason(status));
  return status >= 0;
}

/* Saves a text, and drops it. */
TOOL int save(const char *path, text *t) {
  const invman_context ctx = {NULL, NULL, NULL, NULL, NULL, &error, 0};
  invman_file *file;
  invman_status status = invman_file_create(&ctx, path, &file);
  if (status >= 0) {
    fwrite(t->at, 1, t->length, (FILE *)invman_file_stream(file));
    status = invman_file_commit(file);
  }
  drop(t);
  return saved(status, path);
}

/* Fails now, and not after hours, where a file will not be written; leaves nothing behind. */
TOOL void check_writable(const char *path) {
  const invman_context ctx = {NULL, NULL, NULL, NULL, NULL, &error, 0};
  invman_status status = invman_file_check(&ctx, path);
  if (status < 0) fail("%s: %s", path, reason(status));
  if (kind_of(path) != DEVICE && !has_room(path)) fail("%s: cannot be written: the disk is full", path);
}

/* A directory for what is written, made if it is not there. */
TOOL void need_folder(const char *path) {
  if (kind_of(path) != FOLDER && make_folder(path) != 0) fail("%s: cannot be created", path);
}

/* All of a file, and a 0 behind it; NULL: it cannot be read. */
TOOL char *read_whole_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  text t = {NULL, 0, 0};
  size_t got;
  int bad;
  if (!file) return NULL;
  put_bytes(&t, "", 0);
  do {
    while (t.room - t.length < 65536) t.at = (char *)enlarge(t.at, &t.room, 1);
    got = fread(t.at + t.length, 1, t.room - t.length - 1, file);
    t.length += got;
  } while (got > 0);
  t.at[t.length] = 0;
  bad = ferror(file);
  fclose(file);
  if (bad) drop(&t);
  *size = t.length;
  return t.at;
}

/* ---- JSON */

/* Bytes of the character that begins here; 0: none of UTF-8. */
TOOL size_t character_length(const unsigned char *s) {
  size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0, i;
  for (i = 1; i < length; i++)
    if ((s[i] & 0xc0) != 0x80) return 0;
  if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0; /* too long a form; a surrogate */
  if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0; /* that, and beyond the last one */
  return length;
}

/* In quotation marks; a byte that is no part of a character becomes U+FFFD. */
TOOL void put_string(text *t, const char *string) {
  const unsigned char *s = (const unsigned char *)string;
  size_t length;
  put(t, "\"");
  for (; *s; s += length > 0 ? length : 1) {
    length = character_length(s);
    if (length == 0) put(t, "\\ufffd");
    else if (*s == '"' || *s == '\\') put(t, "\\%c", *s);
    else if (*s < 32) put(t, "\\u%04x", (unsigned)*s);
    else put_bytes(t, s, length);
  }
  put(t, "\"");
}

/* , "name": value in as few digits, from `least` on, as give the same number again; null where there is none. */
TOOL void put_field(text *t, const char *name, double value, int least) {
  char shown[32] = "null";
  int digits;
  for (digits = least; fabs(value) <= DBL_MAX && digits <= 17; digits++) {
    snprintf(shown, sizeof shown, "%.*g", digits, value);
    if (strtod(shown, NULL) == value) break;
  }
  put(t, ", \"%s\": %s", name, shown);
}

/* , "name": "string" or null */
TOOL void put_string_field(text *t, const char *name, const char *string) {
  put(t, ", \"%s\": ", name);
  if (string) put_string(t, string);
  else put(t, "null");
}

static int vector_bits(void) { /* of the processor, as the library chooses them, where it does */
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__)) && !defined(INVMAN_NO_SIMD)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return 512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 256 : 128;
#else
  return 0;
#endif
}

/* What was run, by what: the first fields of a run's first line. */
TOOL void put_machine(text *t) {
  char compiler[80];
  int threads = 1;
#if defined(__clang__)
  snprintf(compiler, sizeof compiler, "clang %d.%d.%d", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  snprintf(compiler, sizeof compiler, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  snprintf(compiler, sizeof compiler, "unknown");
#endif
#ifdef _OPENMP
  threads = omp_get_max_threads();
#endif
  put(t, "{\"program\": \"%s\", \"version\": \"%d.%d.%d\"", tool.program->name, INVMAN_VERSION_MAJOR,
      INVMAN_VERSION_MINOR, INVMAN_VERSION_PATCH);
  put_string_field(t, "compiler", compiler);
  if (vector_bits()) put(t, ", \"vector_bits\": %d", vector_bits());
  else put(t, ", \"vector_bits\": null");
  put(t, ", \"threads\": %d", threads);
}

/* The value of a field of a line, NULL: not there. */
TOOL const char *field(const char *line, const char *name) {
  char key[32];
  const char *at;
  snprintf(key, sizeof key, "\"%s\":", name);
  at = strstr(line, key);
  return at ? at + strlen(key) + strspn(at + strlen(key), " ") : NULL;
}

TOOL int field_is(const char *line, const char *name, const char *word) {
  const char *at = field(line, name);
  size_t length = strlen(word);
  return at && *at == '"' && !strncmp(at + 1, word, length) && at[1 + length] == '"';
}

/* A number, `null_is` for null. Returns 0 where there is neither. */
TOOL int field_number(const char *line, const char *name, double null_is, double *value) {
  const char *at = field(line, name);
  char *end;
  *value = null_is;
  if (!at) return 0;
  if (!strncmp(at, "null", 4)) return 1;
  *value = strtod(at, &end);
  return end > at;
}

/* ---- files of JSON lines: a run that ended stays, and a rerun goes on */

typedef struct journal {
  const char *path;  /* NULL: none */
  const char *begin; /* how every line of this program begins */
  FILE *file;        /* NULL: nothing is written */
  long torn;         /* where its last line begins, if that is torn; else -1 */
  long whole;        /* bytes of whole lines, once it is open */
  int open_ended;    /* its last line is whole, but for the line's end */
} journal;

typedef void (*take_line)(const char *line, void *user);

TOOL void ignore_line(const char *line, void *user) { (void)line, (void)user; }

/* A last line without its end: whole, where it was written by an editor, say, or torn where a run was killed. */
static void take_last_line(journal *j, const char *all, const char *line, size_t length, take_line take, void *user) {
  size_t begin = length < strlen(j->begin) ? length : strlen(j->begin);
  if (length == 0) return;
  if (line[0] == '{' && line[length - 1] == '}') {
    take(line, user);
    j->open_ended = 1;
  } else if (!strncmp(line, j->begin, begin)) {
    j->torn = (long)(line - all);
  } else {
    fail("%s: its last line is torn, and none of this program's", j->path);
  }
}

TOOL void read_journal(journal *j, const char *path, const char *begin, take_line take, void *user) {
  size_t size = 0, number = 1;
  char *all, *line, *end;
  memset(j, 0, sizeof *j);
  j->path = path;
  j->begin = begin;
  j->torn = -1;
  if (!path || kind_of(path) == NOTHING || kind_of(path) == DEVICE || stream_of(path)) return;
  all = line = read_whole_file(path, &size);
  if (!all) fail("%s: cannot be read", path);
  for (; (end = (char *)memchr(line, '\n', size - (size_t)(line - all))) != NULL; line = end + 1, number++) {
    *end = 0;
    if (*line == '{') take(line, user);
    else if (line[strspn(line, " \t\r")]) fail("%s: not a file of JSON lines (line %lu)", path, (unsigned long)number);
  }
  take_last_line(j, all, line, size - (size_t)(line - all), take, user);
  free(all);
}

/* Before the long work: behind what is whole, or where `fresh` in place of what is there. */
TOOL void open_journal(journal *j, int fresh) {
  static char buffer[1 << 18]; /* more than a line */
  int good;
  if (!j->path) return;
  j->whole = -1;
  j->file = stream_of(j->path);
  if (j->file) return;
  j->file = fopen(j->path, fresh ? "wb" : "ab");
  good = j->file != NULL;
  if (good) setvbuf(j->file, buffer, _IOFBF, sizeof buffer);
  if (good && j->torn >= 0) good = cut_file(j->file, j->torn) == 0;
  if (good && j->open_ended) good = fputc('\n', j->file) != EOF && fflush(j->file) == 0;
  if (!good) fail("%s: cannot be written", j->path);
  if (fseek(j->file, 0, SEEK_END) == 0) j->whole = ftell(j->file);
}

static int is_stream(const FILE *file) { return file == stdout || file == stderr; }

/* By one write, so that no line is torn but by a crash of the system. Where the disk is full the file keeps its whole
   lines, and the program goes on without it. */
TOOL void append(journal *j, text *line) {
  if (j->file && fwrite(line->at, 1, line->length, j->file) == line->length && fflush(j->file) == 0) {
    if (j->whole >= 0) j->whole += (long)line->length;
  } else if (j->file) {
    complain("%s: cannot be written", j->path);
    if (!is_stream(j->file)) fclose(j->file);
    j->file = j->whole >= 0 ? fopen(j->path, "ab") : NULL;
    if (j->file && cut_file(j->file, j->whole) == 0) fclose(j->file);
    j->file = NULL;
  }
  drop(line);
}

TOOL void close_journal(journal *j) {
  if (j->file && (is_stream(j->file) ? fflush(j->file) : fclose(j->file)) != 0)
    complain("%s: cannot be written", j->path);
  j->file = NULL;
}

/* ---- one of several programs that share the work: each has its own file, and reads those of the others */

typedef struct task {
  size_t number, count; /* from 1 on; count 0: there is one program, which does all */
} task;

TOOL int is_mine(const task *t, size_t which) { return t->count == 0 || which % t->count == t->number - 1; }

TOOL char *task_path(const char *path, const task *t) {
  text name = {NULL, 0, 0};
  put(&name, "%s.%lu-of-%lu", path, (unsigned long)t->number, (unsigned long)t->count);
  return name.at;
}

/* Whether `name` is `of`, and behind it .I-of-N. */
TOOL int names_task(const char *name, const char *of) {
  size_t length = strlen(of), digits;
  if (strncmp(name, of, length) || name[length] != '.') return 0;
  name += length + 1;
  digits = strspn(name, "0123456789");
  if (digits == 0 || strncmp(name + digits, "-of-", 4)) return 0;
  name += digits + 4;
  digits = strspn(name, "0123456789");
  return digits > 0 && !name[digits];
}

/* Reads all results that there are under `path`; the journal is that of this task. */
TOOL void read_journals(journal *j, const char *path, const task *t, const char *begin, take_line take, void *user) {
  char *own = path && t->count > 0 ? task_path(path, t) : NULL;
  paths others = {NULL, 0, 0};
  size_t k;
  if (path) others = names_like(path, names_task);
  read_journal(j, own ? own : path, begin, take, user);
  if (own) read_journal(j, path, begin, take, user);
  for (k = 0; k < others.count; k++) {
    if (!own || !same_file(own, others.at[k])) read_journal(j, others.at[k], begin, take, user);
    free(others.at[k]);
  }
  free(others.at);
  if (own || others.count > 0) read_journal(j, own ? own : path, begin, ignore_line, NULL);
}

/* ---- what is shown */

/* Prints a line in pieces of WIDTH columns at most, cut behind a word. Text goes on at column `hang`; of a table
   (hang < 0) all that follows moves to the left by the same number of columns, so that numbers stay below their names. */
static void fold(FILE *file, const char *line, int hang) {
  size_t length = strlen(line), room = WIDTH, column = 0, cut, shift = WIDTH - 12;
  while (length > room) {
    for (cut = room; cut > 0 && !(line[cut] == ' ' && line[cut - 1] != ' ');) cut--;
    if (cut == 0) cut = room + strcspn(line + room, " ");
    if (cut + strspn(line + cut, " ") == length) break;
    fprintf(file, "%.*s\n", (int)cut, line);
    column = hang >= 0 ? (size_t)hang : column + cut > shift ? column + cut - shift : 0;
    if (hang >= 0) cut += strspn(line + cut, " ");
    line += cut;
    length -= cut;
    room = WIDTH - column;
    fprintf(file, "%*s", (int)column, "");
  }
  fprintf(file, "%s\n", line);
}

/* printf, whose lines are shown when they end: at once, and on a terminal in at most WIDTH columns. */
TOOL TOOL_FORMAT(1) void show(const char *format, ...) {
  static text line;
  char *end;
  va_list list;
  int length;
  va_start(list, format);
  length = vsnprintf(NULL, 0, format, list);
  va_end(list);
  while (length >= 0 && line.room - line.length <= (size_t)length) line.at = (char *)enlarge(line.at, &line.room, 1);
  va_start(list, format);
  if (length >= 0) line.length += (size_t)vsnprintf(line.at + line.length, line.room - line.length, format, list);
  va_end(list);

  clear_progress();
  while (line.length > 0 && (end = strchr(line.at, '\n')) != NULL) {
    *end++ = 0;
    if (is_terminal(stdout)) fold(stdout, line.at, -1);
    else fprintf(stdout, "%s\n", line.at);
    line.length -= (size_t)(end - line.at);
    memmove(line.at, end, line.length + 1);
  }
  fflush(stdout);
}

/* ---- progress: on a terminal a line that changes, elsewhere a line now and then */

/* From here on this is done, which is `share` of the whole work, `before` being done already; both 0: not known. */
TOOL TOOL_FORMAT(3) void begin_stage(double before, double share, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(tool.about, sizeof tool.about, format, list);
  va_end(list);
  tool.before = before;
  tool.share = share;
}

static void say_progress(double done) {
  double all = tool.before + tool.share * done, now = seconds(),
         left = all > 0 ? (now - tool.began) * (1 - all) / all : 0;
  double unit = left < 100 ? 1 : left < 6000 ? 60 : 3600;
  char line[160], time[48] = "";
  int length;
  if (all > 0.02)
    snprintf(time, sizeof time, "  %.0f %s left", left / unit, unit < 60 ? "s" : unit < 3600 ? "min" : "h");
  length = snprintf(line, sizeof line, "%-50s %5.1f %%%s", tool.about, 100 * done, time);
  if (!tool.terminal) {
    fprintf(stderr, "%s: %s\n", tool.program->name, line);
  } else {
    fprintf(stderr, "\r%-*.*s", tool.line, WIDTH - 1, line);
    tool.line = length < WIDTH ? length : WIDTH - 1;
  }
  fflush(stderr);
}

/* For the context: says how far the stage is, and stops it where the program was interrupted. */
TOOL int progress(const char *stage, double done, void *user) {
  double every = tool.terminal ? 0.1 : tool.every;
  (void)stage;
  (void)user;
  if (tool.began > 0 && every > 0 && seconds() - tool.said >= every) {
    tool.said = seconds();
    say_progress(done > 0 ? done : 0);
  }
  return interrupted != 0;
}

static void interrupt(int number) { /* the first one ends the work, the second one the program */
  interrupted = number;
  signal(number, SIG_DFL);
}

/* What is ignored already, as under nohup, stays so. */
static void catch_signal(int number) {
  if (signal(number, interrupt) == SIG_IGN) signal(number, SIG_IGN);
}

TOOL void begin_work(void) {
  catch_signal(SIGINT);
  catch_signal(SIGTERM);
  tool.terminal = is_terminal(stderr);
  tool.began = tool.said = seconds();
}

/* Who ended a run early, or else the library's reason. */
TOOL const char *end_string(int end) {
  if (end != INVMAN_END_PROGRESS || !interrupted) return invman_end_string(end);
  return interrupted == SIGINT ? "Ctrl-C (SIGINT)" : "the signal TERM";
}

/* The exit status. */
TOOL int finish(int status) {
  clear_progress();
  if (fflush(stdout) != 0 || ferror(stdout)) complain("the output cannot be written");
  return tool.failed ? 2 : interrupted ? 3 : status;
}

/* ---- the command line: readers of values */

TOOL void read_text(const option *o, const char *word) { *(const char **)o->place = word; }

TOOL void read_name(const option *o, const char *word) {
  if (!*word) fail("%s: the name is empty", o->flag);
  read_text(o, word);
}

/* Files that are read, files that are written and may be no other one of them, directories of files that are. */
TOOL void read_input(const option *o, const char *word) { read_name(o, word); }
TOOL void read_output(const option *o, const char *word) { read_name(o, word); }
TOOL void read_folder(const option *o, const char *word) { read_name(o, word); }

TOOL void read_switch(const option *o, const char *word) {
  (void)word;
  *(int *)o->place = 1;
}

TOOL size_t whole_number(const option *o, const char *word) {
  char *end;
  unsigned long long value;
  errno = 0;
  value = strtoull(word, &end, 10);
  if (*word < '0' || *word > '9' || *end || errno || value > SIZE_MAX)
    fail("%s: '%s' is not a whole number", o->flag, word);
  if ((double)value < o->least) fail("%s must be at least %.0f", o->flag, o->least);
  if (o->most > 0 && (double)value > o->most) fail("%s must be at most %.16g", o->flag, o->most);
  return (size_t)value;
}

TOOL double positive_number(const option *o, const char *word) {
  char *end;
  double value = strtod(word, &end);
  if (end == word || *end) fail("%s: '%s' is not a number", o->flag, word);
  if (!(value > 0 && value <= DBL_MAX)) fail("%s must be positive and finite", o->flag);
  if (!(value > o->least) && o->least > 0) fail("%s must be above %g", o->flag, o->least);
  if (o->most > 0 && value > o->most) fail("%s must be at most %g", o->flag, o->most);
  return value;
}

TOOL void read_whole(const option *o, const char *word) { *(size_t *)o->place = whole_number(o, word); }
TOOL void read_positive(const option *o, const char *word) { *(double *)o->place = positive_number(o, word); }

/* Which of the words of `list`, "stripe|cylinder", this one is; -1: none. */
TOOL int word_number(const char *list, const char *word) {
  size_t length = strlen(word);
  int k = 0;
  for (; list; list = strchr(list, '|'), list += list != NULL, k++)
    if (strcspn(list, "|") == length && !strncmp(list, word, length)) return k;
  return -1;
}

/* One of the words of o->value: its number. */
TOOL void read_word(const option *o, const char *word) {
  const char *second = strchr(o->value, '|');
  int k = word_number(o->value, word);
  if (k < 0 && !strchr(second + 1, '|'))
    fail("%s: '%s' is neither %.*s nor %s", o->flag, word, (int)(second - o->value), o->value, second + 1);
  if (k < 0) fail("%s: '%s' is none of %s", o->flag, word, o->value);
  *(int *)o->place = k;
}

/* The next of several values: what stands before `separator`, or the rest. Returns where the one after it begins, NULL
   after the last one. */
TOOL const char *next_value(const option *o, const char *word, char separator, char value[32]) {
  const char *end = strchr(word, separator);
  size_t length = end ? (size_t)(end - word) : strlen(word);
  if (length >= 32) fail("%s: '%s' is too long", o->flag, word);
  memcpy(value, word, length);
  value[length] = 0;
  return end ? end + 1 : NULL;
}

enum { LIST_MOST = 200 };

typedef struct list {
  double value[LIST_MOST];
  size_t count;
} list;

/* N,N,...: numbers of at least o->least, at most o->most of them (0: LIST_MOST). */
static void read_numbers(const option *o, const char *word, int whole) {
  size_t most = o->most > 0 ? (size_t)o->most : LIST_MOST;
  list *l = (list *)o->place;
  option one = *o;
  char value[32];
  one.most = whole ? 9e15 : 0; /* what a double tells from its neighbours */
  for (l->count = 0; word; l->count++) {
    if (l->count == most) fail("%s: more than %lu value%s", o->flag, (unsigned long)most, most > 1 ? "s" : "");
    word = next_value(o, word, ',', value);
    l->value[l->count] = whole ? (double)whole_number(&one, value) : positive_number(&one, value);
  }
}

static void need_order(const option *o) {
  const list *l = (const list *)o->place;
  size_t i;
  for (i = 1; i < l->count; i++)
    if (!(l->value[i] > l->value[i - 1])) fail("%s: the values must increase", o->flag);
}

TOOL void read_list(const option *o, const char *word) { read_numbers(o, word, 1); }

TOOL void read_increasing(const option *o, const char *word) {
  read_numbers(o, word, 1);
  need_order(o);
}

TOOL void read_increasing_reals(const option *o, const char *word) {
  read_numbers(o, word, 0);
  need_order(o);
}

typedef struct range {
  size_t first, count;
} range;

/* A:B, or A alone; at most o->most numbers. */
TOOL void read_range(const option *o, const char *word) {
  range *r = (range *)o->place;
  option one = *o;
  char value[32];
  size_t last;
  one.most = 9e15;
  word = next_value(o, word, ':', value);
  last = r->first = whole_number(&one, value);
  if (word) last = whole_number(&one, word);
  if (last < r->first) fail("%s: the last is smaller than the first", o->flag);
  if ((double)(last - r->first) >= o->most) fail("%s: more than %.0f", o->flag, o->most);
  r->count = last - r->first + 1;
}

typedef struct ratios {
  double low, high;
  size_t count;
} ratios;

/* LOW:HIGH:N, with N from o->least to o->most. */
TOOL void read_ratios(const option *o, const char *word) {
  ratios *r = (ratios *)o->place;
  option end = *o;
  char low[32], high[32] = "";
  const char *rest = next_value(o, word, ':', low);
  if (rest) rest = next_value(o, rest, ':', high);
  if (!rest) fail("%s: '%s' is not LOW:HIGH:N", o->flag, word);
  end.least = end.most = 0;
  r->low = positive_number(&end, low);
  r->high = positive_number(&end, high);
  end.least = o->least;
  r->count = whole_number(&end, rest);
  if ((double)r->count > o->most) fail("%s: more than %.0f values", o->flag, o->most);
  if (r->high < r->low) fail("%s: the last is smaller than the first", o->flag);
}

typedef struct times {
  double value[LIST_MOST];
  size_t count; /* 0: none were asked for */
} times;

/* lin:A:B:N or log:A:B:N, increasing. */
TOOL void read_times(const option *o, const char *word) {
  times *t = (times *)o->place;
  option end = *o;
  char kind[32], low[32], high[32] = "";
  const char *rest = next_value(o, word, ':', kind);
  double a, b;
  size_t i, n;
  int by_ratio = !strcmp(kind, "log");
  if (rest) rest = next_value(o, rest, ':', low);
  if (rest) rest = next_value(o, rest, ':', high);
  if (!rest || (!by_ratio && strcmp(kind, "lin"))) fail("%s: '%s' is not lin:A:B:N or log:A:B:N", o->flag, word);
  end.least = end.most = 0;
  a = positive_number(&end, low);
  b = positive_number(&end, high);
  end.least = 2;
  n = whole_number(&end, rest);
  if (n > LIST_MOST) fail("%s: more than %d times", o->flag, (int)LIST_MOST);
  if (!(b > a)) fail("%s: the last is not larger than the first", o->flag);
  for (t->count = 0, i = 0; i < n; i++) {
    double share = (double)i / (double)(n - 1);
    t->value[t->count++] = i + 1 == n ? b : by_ratio ? a * pow(b / a, share) : a + share * (b - a);
  }
}

/* I/N */
TOOL void read_task(const option *o, const char *word) {
  task *t = (task *)o->place;
  option one = *o;
  char value[32];
  const char *rest = next_value(o, word, '/', value);
  if (!rest) fail("%s: '%s' is not I/N", o->flag, word);
  one.least = 1;
  one.most = 1e6;
  t->number = whole_number(&one, value);
  t->count = whole_number(&one, rest);
  if (t->number > t->count)
    fail("%s: there is no task %lu of %lu", o->flag, (unsigned long)t->number, (unsigned long)t->count);
}

/* ---- the command line: help */

static void print_lines(const char *lines) {
  text copy = {NULL, 0, 0};
  char *line, *end;
  put(&copy, "%s\n", lines);
  for (line = copy.at; *line; line = end + 1) {
    size_t hang = strspn(line, " ");
    const char *gap;
    end = strchr(line, '\n');
    *end = 0;
    gap = strstr(line + hang, "  "); /* between a word and what is said of it */
    if (gap && gap - line < 40) hang = (size_t)(gap - line) + strspn(gap, " ");
    fold(stdout, line, (int)hang);
  }
  drop(&copy);
}

static void read_progress(const option *o, const char *word) {
  *(double *)o->place = strcmp(word, "0") ? positive_number(o, word) : 0;
}

/* What every program has. */
static const option own_options[] = {
    {"--progress", "S", read_progress, &tool.every, 0, 0, "60",
     "seconds between lines of progress on stderr, where that is no terminal; 0: none", 0},
    {"--help", NULL, NULL, NULL, 0, 0, NULL, "this text; --version: the version", 0},
};

static int has_mode(const option *o) { return !o->modes || (o->modes >> tool.mode & 1); }

static size_t width_of_option(const option *o) { return strlen(o->flag) + (o->value ? strlen(o->value) + 1 : 0); }

static void print_option(const option *o, size_t width) {
  text line = {NULL, 0, 0};
  size_t own = width_of_option(o);
  put(&line, "  %s%s%s%*s", o->flag, o->value ? " " : "", o->value ? o->value : "",
      (int)(own < width ? width - own : 0), "");
  put(&line, "  %s", o->about);
  if (o->standard) put(&line, " (%s)", o->standard);
  print_lines(line.at);
  drop(&line);
}

static void print_options(void) {
  const program *p = tool.program;
  size_t width = 0, i;
  for (i = 0; i < p->option_count; i++) {
    size_t own = has_mode(&p->options[i]) ? width_of_option(&p->options[i]) : 0;
    if (own > width && own <= 28) width = own;
  }
  putchar('\n');
  for (i = 0; i < p->option_count; i++)
    if (has_mode(&p->options[i])) print_option(&p->options[i], width);
  for (i = 0; i < sizeof own_options / sizeof *own_options; i++) print_option(&own_options[i], width);
}

static void print_modes(void) {
  const program *p = tool.program;
  const mode *m;
  size_t width = 0;
  putchar('\n');
  for (m = p->modes; m->name; m++) width = strlen(m->name) > width ? strlen(m->name) : width;
  for (m = p->modes; m->name; m++) {
    text line = {NULL, 0, 0};
    put(&line, "  %s %-*s  %s", p->name, (int)width, m->name, m->about);
    print_lines(line.at);
    drop(&line);
  }
  printf("\n  %s %s --help   the options of %s, and the files that it writes\n", p->name, p->modes->name,
         p->modes->name);
}

/* `one`: of the mode alone, where the program has modes. */
static void print_help(int one) {
  const program *p = tool.program;
  const mode *m = one && p->modes ? &p->modes[tool.mode] : NULL;
  char *title = m ? joined(p->name, " ", m->name) : joined(p->name, "", "");
  char *head = joined(title, " - ", m ? m->about : p->about);
  print_lines(head);
  if (p->usage && !m) {
    putchar('\n');
    print_lines(p->usage);
  } else {
    printf("\n  %s [options]\n", title);
  }
  if (p->modes && !m) print_modes();
  else print_options();
  putchar('\n');
  if (m) print_lines(m->notes);
  print_lines(p->notes);
  free(title);
  free(head);
}

/* ---- the command line: reading it */

static const char *hint(void) {
  static char text_of_it[80];
  const program *p = tool.program;
  if (p->modes) snprintf(text_of_it, sizeof text_of_it, "; see %s %s --help", p->name, p->modes[tool.mode].name);
  return p->modes ? text_of_it : "; see --help";
}

TOOL int given(const char *flag) {
  size_t i;
  for (i = 0; i < tool.program->option_count; i++)
    if (tool.given[i] && !strcmp(tool.program->options[i].flag, flag)) return 1;
  return 0;
}

static void answer(const char *flag, int one) {
  if (!strcmp(flag, "--help") || !strcmp(flag, "-h")) print_help(one);
  else if (!strcmp(flag, "--version"))
    printf("%s, invman.h %d.%d.%d\n", tool.program->name, INVMAN_VERSION_MAJOR, INVMAN_VERSION_MINOR,
           INVMAN_VERSION_PATCH);
  else return;
  exit(finish(0));
}

/* The option whose name the first `length` letters are; NULL: none. */
static const option *find_option(const char *flag, size_t length) {
  size_t i;
  for (i = 0; i <= tool.program->option_count; i++) {
    const option *o = i < tool.program->option_count ? &tool.program->options[i] : own_options;
    if (has_mode(o) && strlen(o->flag) == length && !strncmp(o->flag, flag, length)) return o;
  }
  return NULL;
}

/* Of several values each has its own place. */
static void read_value(const option *o, int k, const char *value) {
  option one = *o;
  if (k > 0) one.place = (const char **)o->place + k;
  o->read(&one, value);
}

/* Reads the option that begins here, with `words` left; returns how many are its own: --flag VALUE or --flag=VALUE. */
static int read_option(char **word, int words) {
  const char *equals = strchr(word[0], '=');
  int length = equals ? (int)(equals - word[0]) : (int)strlen(word[0]), first = equals ? 0 : 1, wanted, k;
  const option *o;
  answer(word[0], 1);
  if (strncmp(word[0], "--", 2)) fail("'%s' is not an option%s", word[0], hint());
  o = find_option(word[0], (size_t)length);
  if (!o) fail("%.*s: unknown option%s", length, word[0], hint());
  wanted = !o->value ? 0 : strchr(o->value, ' ') ? 2 : 1;
  if (equals && wanted == 0) fail("%s takes no value", o->flag);
  if (wanted == 2 && words < first + 2) fail("%s needs two files: %s", o->flag, o->value);
  if (words < first + wanted) fail("%s: unknown, or its value is missing%s", o->flag, hint());
  if (o != own_options) tool.given[o - tool.program->options] = 1;
  if (wanted == 0) o->read(o, "");
  for (k = 0; k < wanted; k++) read_value(o, k, equals && k == 0 ? equals + 1 : word[first + k]);
  return first + wanted;
}

static void read_mode(const char *word) {
  const program *p = tool.program;
  text usage = {NULL, 0, 0};
  put(&usage, "usage: %s ", p->name);
  for (tool.mode = 0; p->modes[tool.mode].name; tool.mode++)
    put(&usage, "%s%s", tool.mode > 0 ? "|" : "", p->modes[tool.mode].name);
  tool.mode = 0;
  if (!word) fail("%s; see --help", usage.at);
  answer(word, 0);
  while (p->modes[tool.mode].name && strcmp(p->modes[tool.mode].name, word)) tool.mode++;
  if (!p->modes[tool.mode].name) fail("'%s' is unknown; %s; see --help", word, usage.at);
  drop(&usage);
}

/* The k-th file that an option names, of those that are read or written; NULL: none. */
static const char *file_of(const option *o, int k) {
  if ((o->read != read_input && o->read != read_output) || !has_mode(o)) return NULL;
  if (k > 0 && !strchr(o->value, ' ')) return NULL;
  return ((const char *const *)o->place)[k];
}

/* No file is written twice, nor written over one that is read. */
static void compare_files(const option *x, const option *y) {
  int i, j;
  for (i = 0; i < 2; i++)
    for (j = 0; j < 2; j++) {
      const char *a = file_of(x, i), *b = file_of(y, j);
      if (a && b && same_file(a, b)) fail("%s %s and %s %s are the same file", x->flag, a, y->flag, b);
    }
}

static void check_files(void) {
  const option *o = tool.program->options;
  size_t n = tool.program->option_count, i, j;
  for (i = 0; i < n; i++)
    for (j = 0; j < i; j++)
      if (o[i].read == read_output || o[j].read == read_output) compare_files(&o[j], &o[i]);
  for (i = 0; i < n; i++)
    if (o[i].read == read_output && file_of(&o[i], 0)) check_writable(file_of(&o[i], 0));
}

/* Reads the command line; returns the number of the mode. */
TOOL int start(int argc, char **argv, const program *p) {
  int i = 1;
  size_t k;
  open_descriptors();
  tool.program = p;
  tool.every = 60;
  if (p->modes) read_mode(argc > i ? argv[i++] : NULL);
  for (k = 0; k < p->option_count; k++)
    if (p->options[k].standard && has_mode(&p->options[k])) p->options[k].read(&p->options[k], p->options[k].standard);
  while (i < argc) i += read_option(argv + i, argc - i);
  check_files();
  return (int)tool.mode;
}

/* ---- tables of numbers in files: text */

typedef struct table {
  size_t rows, columns;
  double *value; /* (rows,columns) */
  double eps;    /* the spacing near 1 of the type that the file holds them in */
} table;

static int separates(char c) { return c == ',' || c == ';' || c == '\t'; }

/* Where a field ends: at a separator, which within quotation marks is none, or at a blank. */
static const char *field_end(const char *at, int blank) {
  int quoted = 0;
  for (; *at && (quoted || !(separates(*at) || (blank && *at == ' '))); at++) quoted ^= *at == '"';
  return at;
}

/* A line of names may come first, of whose fields none is a number: how many there are, 1 where that is not known, 0
   where it is none. */
static size_t header_fields(const char *line) {
  int blank = !strpbrk(line, ",;\t");
  const char *at = line;
  size_t fields = 1;
  for (;; at++) {
    char *end;
    at += strspn(at, " \"");
    strtod(at, &end);
    if (end > at && (!*end || strchr(" \",;\t", *end))) return 0;
    at = field_end(at, blank);
    if (!*at) return fields;
    if (!blank) fields++;
  }
}

/* The next number of a line, and what stands behind it. */
static double next_number(const char *path, char **at, size_t line) {
  char *begin = *at, *end, quote;
  double value;
  while (*begin == ' ') begin++;
  quote = *begin == '"' ? *begin++ : 0;
  value = strtod(begin, &end);
  if (end == begin || (quote && *end++ != quote) || (*end && *end != ' ' && !separates(*end)))
    fail("%s: a field is %s (line %lu)", path, *begin && !separates(*begin) ? "not a number" : "empty",
         (unsigned long)line);
  if (!(fabs(value) <= DBL_MAX)) fail("%s: a number is not finite (line %lu)", path, (unsigned long)line);
  *at = end + strspn(end, " ");
  return value;
}

/* The numbers of a line, behind the `count` that there are. Returns how many. */
static size_t parse_line(const char *path, char *at, size_t line, table *t, size_t count, size_t *room) {
  size_t columns = 0;
  char separator = 0;
  for (;;) {
    if (count + columns == *room) t->value = (double *)enlarge(t->value, room, sizeof(double));
    t->value[count + columns++] = next_number(path, &at, line);
    if (!*at) return columns;
    if (separates(*at) && separator && separator != *at)
      fail("%s: '%c' and '%c' both separate numbers, which have decimal points here, no commas (line %lu)", path,
           separator, *at, (unsigned long)line);
    if (separates(*at)) separator = *at++;
  }
}

/* What a file is by its first bytes that is often taken for a table; NULL: perhaps it is one. */
static const char *other_format(const char *bytes, size_t size) {
  static const struct {
    size_t length;
    const char *begins, *what;
  } others[] = {
      {4, "PK\3\4", "an archive (.npz, or .pt of PyTorch): save one array with numpy.save"},
      {4, "PK\5\6", "an empty archive (.npz)"},
      {2, "\x1f\x8b", "compressed by gzip: unpack it first"},
      {8, "\x89HDF\r\n\x1a\n", "HDF5: save one array with numpy.save"},
      {15, "MATLAB 5.0 MAT-", "MATLAB's .mat: save one array as text or with numpy.save"},
      {2, "\x80\2", "a pickle of Python: save one array with numpy.save"},
      {2, "\x80\3", "a pickle of Python: save one array with numpy.save"},
      {2, "\x80\4", "a pickle of Python: save one array with numpy.save"},
      {2, "\x80\5", "a pickle of Python: save one array with numpy.save"},
      {2, "\xff\xfe", "text in UTF-16: save it as UTF-8"},
      {2, "\xfe\xff", "text in UTF-16: save it as UTF-8"},
  };
  size_t i;
  for (i = 0; i < sizeof others / sizeof *others; i++)
    if (size >= others[i].length && memcmp(bytes, others[i].begins, others[i].length) == 0) return others[i].what;
  return NULL;
}

static table parse_csv(const char *path, char *bytes, size_t size) {
  char *at = bytes, *end = bytes + size, *next;
  size_t line, count = 0, room = 0, names = 0;
  int first = 1;
  table t = {0, 0, NULL, DBL_EPSILON};
  if (size > 1 && memchr(bytes, '\r', size - 1) && !memchr(bytes, '\n', size))
    fail("%s: text whose lines end with CR alone: save it with LF or CR LF", path);
  if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3; /* a byte order mark */
  for (line = 1; at < end; at = next, line++) {
    char *stop = (char *)memchr(at, '\n', (size_t)(end - at));
    size_t columns;
    if (!stop) stop = end;
    next = stop < end ? stop + 1 : end;
    *stop = 0;
    if (strlen(at) != (size_t)(stop - at)) fail("%s: not a text (line %lu)", path, (unsigned long)line);
    while (stop > at && (stop[-1] == '\r' || stop[-1] == ' ')) *--stop = 0;
    at += strspn(at, " ");
    if (!*at || *at == '#') continue;
    if (first) names = header_fields(at);
    if (first && names > 0) {
      first = 0;
      continue;
    }
    first = 0;
    columns = parse_line(path, at, line, &t, count, &room);
    if (names > 1 && columns != names)
      fail("%s: %lu numbers below %lu names (line %lu)", path, (unsigned long)columns, (unsigned long)names,
           (unsigned long)line);
    if (t.rows > 0 && columns != t.columns)
      fail("%s: %s columns than on the lines before (line %lu)", path, columns < t.columns ? "fewer" : "more",
           (unsigned long)line);
    t.columns = columns;
    t.rows++;
    count += columns;
  }
  if (t.rows == 0) fail("%s: no numbers", path);
  return t;
}

/* ---- .npy: "\x93NUMPY", version, the header's length, the header (a Python dictionary), the numbers */

typedef struct npy {
  char kind;   /* f, i, u or b */
  size_t size; /* bytes of a number */
  int big;     /* big-endian */
  int fortran; /* the first index is the fastest */
  size_t dims, shape[2], start;
} npy;

/* What stands behind 'key': in the header. */
static const char *npy_entry(const char *path, const char *header, const char *key) {
  char quoted[32];
  const char *at;
  snprintf(quoted, sizeof quoted, "'%s'", key);
  at = strstr(header, quoted);
  if (!at) fail("%s: npy: the header has no %s (byte 10)", path, quoted);
  at += strlen(quoted);
  at += strspn(at, " ");
  if (*at++ != ':') fail("%s: npy: the header is malformed at %s (byte 10)", path, quoted);
  return at + strspn(at, " ");
}

/* How many characters of the header are the type: a word in quotes, or a list in brackets. */
static int type_length(const char *d) {
  const char *end = *d == '[' ? strchr(d, ']') : *d == '\'' ? strchr(d + 1, '\'') : NULL;
  size_t length = end ? (size_t)(end - d) + 1 : strcspn(d, ",}");
  return length < 60 ? (int)length : 60;
}

static void npy_type(const char *path, const char *header, npy *f) {
  const char *d = npy_entry(path, header, "descr");
  int plain = d[0] == '\'' && d[1] && strchr("<>|=", d[1]) && d[2] && strchr("fiub", d[2]) && d[3] >= '1' &&
              d[3] <= '8' && d[4] == '\'';
  if (d[0] == '\'' && d[1] && d[2] == 'c')
    fail("%s: npy: complex numbers, of type %.*s: points and Gram matrices are real here (byte 10)", path,
         type_length(d), d);
  f->kind = plain ? d[2] : '?';
  f->size = plain ? (size_t)(d[3] - '0') : 0;
  f->big = plain && d[1] == '>';
  if (f->kind == 'f') plain = f->size == 2 || f->size == 4 || f->size == 8;
  else if (f->kind == 'b') plain = f->size == 1;
  else plain = plain && (f->size == 1 || f->size == 2 || f->size == 4 || f->size == 8);
  if (!plain || (f->size > 1 && d[1] == '|'))
    fail("%s: npy: numbers of type %.*s, which is none of f2, f4, f8, i1 to i8, u1 to u8, b1 (byte 10)", path,
         type_length(d), d);
}

/* (3, 2), or as Python 2 wrote it, (3L, 2L) */
static void npy_shape(const char *path, const char *header, npy *f) {
  const char *at = npy_entry(path, header, "shape");
  if (*at++ != '(') fail("%s: npy: the shape is malformed (byte 10)", path);
  f->shape[0] = f->shape[1] = 1;
  for (f->dims = 0;;) {
    unsigned long long size;
    char *end;
    while (*at == ' ' || (*at == ',' && f->dims > 0)) at++;
    if (*at == ')') break;
    errno = 0;
    size = strtoull(at, &end, 10);
    if (*at < '0' || *at > '9' || errno || size > SIZE_MAX) fail("%s: npy: the shape is malformed (byte 10)", path);
    if (f->dims == 2) fail("%s: npy: more than two dimensions (byte 10)", path);
    f->shape[f->dims++] = (size_t)size;
    at = *end == 'L' ? end + 1 : end;
  }
  if (f->dims == 0) fail("%s: npy: a single number, not a table (byte 10)", path);
}

static void npy_header(const char *path, const unsigned char *bytes, size_t size, npy *f) {
  const char *order;
  char *header;
  size_t length, wide, i;
  memset(f, 0, sizeof *f);
  if (size < 12) fail("%s: npy: the file is truncated (byte %lu)", path, (unsigned long)size);
  if (bytes[6] < 1 || bytes[6] > 3) fail("%s: npy: version %d, which is not 1 to 3 (byte 6)", path, bytes[6]);
  wide = bytes[6] > 1;
  length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
  if (wide) length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
  f->start = wide ? 12 : 10;
  if (length > size - f->start) fail("%s: npy: the file is truncated (byte %lu)", path, (unsigned long)size);
  header = (char *)zeros(length + 1, 1, 1);
  for (i = 0; i < length; i++) header[i] = bytes[f->start + i] < 32 ? ' ' : (char)bytes[f->start + i];
  f->start += length;
  npy_type(path, header, f);
  npy_shape(path, header, f);
  order = npy_entry(path, header, "fortran_order");
  f->fortran = strncmp(order, "True", 4) == 0;
  if (!f->fortran && strncmp(order, "False", 5))
    fail("%s: npy: fortran_order is neither True nor False (byte 10)", path);
  free(header);
}

/* A half: sign, five bits of exponent, ten of fraction */
static double half_number(unsigned bits) {
  int exponent = (int)(bits >> 10 & 31);
  double fraction = (double)(bits & 1023), value;
  if (exponent == 31) value = fraction > 0 ? (double)NAN : HUGE_VAL;
  else value = exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24);
  return bits >> 15 ? -value : value;
}

/* The number at `at`: its bytes are put together in order, on any machine. */
static double npy_number(const unsigned char *at, const npy *f) {
  uint64_t bits = 0, sign;
  size_t i;
  for (i = 0; i < f->size; i++) bits |= (uint64_t)at[f->big ? f->size - 1 - i : i] << 8 * i;
  if (f->kind == 'f' && f->size == 8) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (f->kind == 'f' && f->size == 2) return half_number((unsigned)bits);
  if (f->kind == 'f') {
    uint32_t single = (uint32_t)bits;
    float value;
    memcpy(&value, &single, sizeof value);
    return (double)value;
  }
  sign = (uint64_t)1 << (8 * f->size - 1);
  if (f->kind == 'i' && (bits & sign)) return -(double)(sign - (bits & (sign - 1)));
  return (double)bits;
}

static table parse_npy(const char *path, const unsigned char *bytes, size_t size) {
  table t;
  npy f;
  size_t r, c, left;
  npy_header(path, bytes, size, &f);
  t.rows = f.shape[0];
  t.columns = f.shape[1];
  left = size - f.start;
  if (t.rows == 0 || t.columns == 0) fail("%s: npy: no numbers (byte 10)", path);
  if (t.rows > left / f.size / t.columns) fail("%s: npy: the file is truncated (byte %lu)", path, (unsigned long)size);
  if (t.rows * t.columns * f.size < left)
    fail("%s: npy: more bytes than the shape says (byte %lu)", path,
         (unsigned long)(f.start + t.rows * t.columns * f.size));
  t.value = numbers(t.rows, t.columns);
  t.eps = f.kind != 'f' || f.size == 8 ? DBL_EPSILON : f.size == 4 ? (double)FLT_EPSILON : ldexp(1, -10);
  for (r = 0; r < t.rows; r++)
    for (c = 0; c < t.columns; c++) {
      size_t at = f.start + f.size * (f.fortran ? c * t.rows + r : r * t.columns + c);
      double value = npy_number(bytes + at, &f);
      if (!(fabs(value) <= DBL_MAX)) fail("%s: npy: a number is not finite (byte %lu)", path, (unsigned long)at);
      t.value[r * t.columns + c] = value;
    }
  return t;
}

/* A table of either kind. */
TOOL table read_table(const char *path) {
  size_t size, length = strlen(path);
  char *bytes = read_whole_file(path, &size);
  const char *other;
  int is_npy;
  table t;
  if (!bytes) fail("%s: the file cannot be read", path);
  is_npy = size >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
  other = other_format(bytes, size);
  if (other) fail("%s: this is %s (byte 0)", path, other);
  if (!is_npy && length > 4 && !strcmp(path + length - 4, ".npy"))
    fail("%s: npy: the file does not begin as one (byte 0)", path);
  t = is_npy ? parse_npy(path, (const unsigned char *)bytes, size) : parse_csv(path, bytes, size);
  free(bytes);
  return t;
}

static void write_npy(FILE *file, const double *value, size_t rows, size_t columns) {
  char header[128], shape[64];
  size_t i, k;
  if (columns > 0) snprintf(shape, sizeof shape, "(%lu, %lu)", (unsigned long)rows, (unsigned long)columns);
  else snprintf(shape, sizeof shape, "(%lu,)", (unsigned long)rows);
  snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }", shape);
  fprintf(file, "\x93NUMPY%c%c%c%c%-117s\n", 1, 0, 118, 0, header); /* 128 bytes in all */
  for (i = 0; i < rows * (columns > 0 ? columns : 1); i++) {
    unsigned char bytes[8];
    uint64_t bits;
    memcpy(&bits, &value[i], sizeof bits);
    for (k = 0; k < 8; k++) bytes[k] = (unsigned char)(bits >> 8 * k);
    fwrite(bytes, 1, 8, file);
  }
}

/* Saves value (rows,columns), or (rows) where columns = 0, as little-endian doubles. */
TOOL int save_npy(const char *path, const double *value, size_t rows, size_t columns) {
  const invman_context ctx = {NULL, NULL, NULL, NULL, NULL, &error, 0};
  invman_file *file;
  invman_status status = invman_file_create(&ctx, path, &file);
  if (status >= 0) {
    write_npy((FILE *)invman_file_stream(file), value, rows, columns);
    status = invman_file_commit(file);
  }
  return saved(status, path);
}

/* ---- points, networks, and what kernels predict */

/* n points of a model. */
TOOL invman_data sample(const invman_context *ctx, const invman_data_model *model, size_t n, size_t seed,
                        uint64_t stream, const char *about) {
  invman_data points;
  invman_rng rng;
  invman_rng_seed(&rng, seed, stream);
  check(invman_data_sample(ctx, model, n, &rng, &points), about);
  return points;
}

TOOL invman_net new_net(const invman_context *ctx, size_t h, size_t d, size_t seed) {
  invman_net net;
  invman_rng rng;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_WEIGHTS);
  check(invman_net_init(ctx, h, d, &rng, &net), "network");
  return net;
}

TOOL invman_data read_images(const invman_context *ctx, const char *const files[2], size_t shape[3]) {
  invman_idx_options options;
  invman_data data;
  invman_status status;
  memset(&options, 0, sizeof options);
  options.centre = 1;
  options.shape = shape;
  status = invman_data_read_idx(ctx, files[0], files[1], &options, &data);
  check(status, error.what && strncmp(error.what, "labels", 6) == 0 ? files[1] : files[0]);
  return data;
}

/* The next n of all points, from number *first on. */
TOOL invman_data part(const invman_data *all, size_t *first, size_t n, const char *flag, const char *path) {
  invman_data view = *all;
  if (n > all->n - *first)
    fail("%s: %s %lu, but only %lu of %lu points are left", path, flag, (unsigned long)n,
         (unsigned long)(all->n - *first), (unsigned long)all->n);
  view.n = n;
  view.x += *first * view.d;
  view.y += *first;
  *first += n;
  return view;
}

TOOL size_t count_plus(const invman_data *data) {
  size_t i, plus = 0;
  for (i = 0; i < data->n; i++) plus += data->y[i] > 0;
  return plus;
}

TOOL int has_both(const invman_data *data) { return count_plus(data) > 0 && count_plus(data) < data->n; }

/* Fails now, and not after hours, where a label is too rare. */
TOOL void need_labels(const invman_data *data, size_t least, const char *flag, const char *points) {
  size_t plus = count_plus(data);
  if (plus < least || data->n - plus < least)
    fail("%s: of %lu %s %lu have the label +1; at least %lu of each label are needed", flag, (unsigned long)data->n,
         points, (unsigned long)plus, (unsigned long)least);
}

/* The share of points with y F <= 0. */
TOOL double share_of_errors(const double *F, const invman_data *data) {
  size_t i, wrong = 0;
  for (i = 0; i < data->n; i++) wrong += !(data->y[i] * F[i] > 0);
  return (double)wrong / (double)data->n;
}

/* The same of what a flow predicts; -1: there are no points. */
TOOL double flow_error(const invman_flow *flow, const invman_data *data) {
  double *F, share;
  if (data->n == 0) return -1;
  F = numbers(data->n, 1);
  check(invman_flow_predict(flow, data->x, data->n, F), "prediction");
  share = share_of_errors(F, data);
  free(F);
  return share;
}

/* K (n,m) of the points x (n,d) with z (m,d), z NULL: with themselves; of a network, or NULL: of infinite width. */
TOOL void gram(const invman_context *ctx, const invman_net *net, int part_of_net, size_t d, const double *x, size_t n,
               const double *z, size_t m, double *K) {
  if (net) check(invman_ntk_gram(ctx, net, part_of_net, x, n, z, m, K), "kernel");
  else check(invman_ntk_gram_infinite(ctx, d, part_of_net, x, n, z, m, K), "kernel");
}

enum { BLOCK = 512 }; /* test points at a time */

TOOL size_t block_of(size_t left) { return left < BLOCK ? left : (size_t)BLOCK; }

/* F(x) = sum_mu a_mu K(x, x_mu) of the points x_mu at all of test. */
TOOL void kernel_predict(const invman_context *ctx, const invman_net *net, int part_of_net, const invman_data *points,
                         const double *a, const invman_data *test, double *F) {
  double *K = numbers(block_of(test->n), points->n);
  size_t first, i, j;
  for (first = 0; first < test->n && !interrupted; first += BLOCK) {
    size_t count = block_of(test->n - first);
    gram(ctx, net, part_of_net, test->d, test->x + first * test->d, count, points->x, points->n, K);
    for (i = 0; i < count; i++)
      for (j = 0, F[first + i] = 0; j < points->n; j++) F[first + i] += K[i * points->n + j] * a[j];
  }
  free(K);
}

/* The largest components of a direction, one after the other; name NULL: of x1, x2, .. */
TOOL void show_direction(const double *v, size_t d, char *const *name) {
  enum { SHOWN = 4 };
  size_t shown, j, last = d;
  for (shown = 0; shown < SHOWN && shown < d; shown++) {
    size_t most = d;
    for (j = 0; j < d; j++) {
      int left = last == d || fabs(v[j]) < fabs(v[last]) || (fabs(v[j]) == fabs(v[last]) && j > last);
      if (left && (most == d || fabs(v[j]) > fabs(v[most]))) most = j;
    }
    if (shown > 0 && fabs(v[most]) < 0.1) break;
    if (name) show("  %+.3f %s", v[most], name[most]);
    else show("  %+.3f x%lu", v[most], (unsigned long)most + 1);
    last = most;
  }
  show("\n");
}

/* ---- small numbers */

static const double unknown = (double)NAN;
TOOL int known(double x) { return x == x; }

TOOL int smaller_first(const void *a, const void *b) {
  const double *x = (const double *)a, *y = (const double *)b;
  return (*x > *y) - (*x < *y);
}

TOOL int larger_first(const void *a, const void *b) { return smaller_first(b, a); }
TOOL double larger(double a, double b) { return a > b ? a : b; }
TOOL double smaller(double a, double b) { return a < b ? a : b; }

/* The value below which `share` of the n sorted ones lie, between two of them in proportion. */
TOOL double quantile(const double *sorted, size_t n, double share) {
  double at = share * (double)(n - 1);
  size_t i = (size_t)at;
  return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

#endif
