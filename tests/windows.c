/* Files on Windows: names in UTF-8 and in the code page, what has a name already, devices, directories. Built and run,
   as it is or by wine, by tests/portability.sh, in an empty directory; prints what fails and a line that says how many. */
#define INVMAN_IMPLEMENTATION
#include "../invman.h"
#include <direct.h>

#define LETTERS "\xc3\xa9\xe2\x88\x9e\xf0\x9f\x98\x80" /* of two, three and four bytes */

static int failed;
static invman_error error;

static void check(int holds, int line) {
  if (holds) return;
  printf("  tests/windows.c:%d: %s\n", line, error.what ? error.what : "");
  failed++;
}
#define CHECK(condition) check(condition, __LINE__)

static invman_context context(void) {
  invman_context ctx;
  memset(&ctx, 0, sizeof ctx);
  memset(&error, 0, sizeof error);
  ctx.error = &error;
  return ctx;
}

static invman_status save(const char *path, const char *text) {
  invman_context ctx = context();
  invman_file *file;
  invman_status status = invman_file_create(&ctx, path, &file);
  if (status < 0) return status;
  fputs(text, (FILE *)invman_file_stream(file));
  return invman_file_commit(file);
}

static int holds(const char *path, const char *text) {
  invman_i_scope scope = invman_i_open(NULL);
  size_t size;
  const unsigned char *bytes = invman_i_read_file(&scope, path, invman_i_cannot_read, &size);
  int same = bytes && size == strlen(text) && memcmp(bytes, text, size) == 0;
  invman_i_close(&scope);
  return same;
}

static int refused(invman_status status, const char *why) {
  return status == INVMAN_E_IO && error.what && strstr(error.what, why) != NULL;
}

static void names(void) {
  static const char *const paths[] = {"a",   "a.txt",       LETTERS ".txt", ".\\b",
                                      "d/c", "d\\" LETTERS, "d\\..\\e",     "\xe9.txt"};
  size_t k;
  FILE *file;
  for (k = 0; k < sizeof paths / sizeof *paths; k++) {
    CHECK(save(paths[k], "first") == INVMAN_OK && holds(paths[k], "first"));
    CHECK(save(paths[k], "the second") == INVMAN_OK && holds(paths[k], "the second"));
  }
  file = _wfopen(L"\x00e9\x221e\xd83d\xde00.txt", L"rb");
  CHECK(file != NULL);
  if (file) fclose(file);
  CHECK(save("d\\a.tmp", "of the user") == INVMAN_OK && save("d\\a", "x") == INVMAN_OK);
  CHECK(holds("d\\a.tmp", "of the user"));
}

static void refusals(void) {
  static const char *const paths[] = {"d", "d\\", "d/", "new\\", "a/"};
  invman_context ctx = context();
  size_t k;
  for (k = 0; k < sizeof paths / sizeof *paths; k++) {
    CHECK(refused(save(paths[k], "x"), "the name is a directory's"));
    CHECK(refused(invman_file_check(&ctx, paths[k]), "the name is a directory's"));
  }
  CHECK(refused(save("none\\x", "x"), "there is no such directory"));
}

static void devices(void) {
  invman_context ctx = context();
  CHECK(save("NUL", "x") == INVMAN_OK && save("nul", "x") == INVMAN_OK);
  CHECK(invman_file_check(&ctx, "NUL") == INVMAN_OK);
}

static void held(void) { /* a file that another program keeps open stays; afterwards it can be replaced */
  FILE *file = fopen("a.txt", "rb");
  CHECK(file != NULL);
  if (!file) return;
  CHECK(refused(save("a.txt", "lost"), "held by other programs") && holds("a.txt", "the second"));
  fclose(file);
  CHECK(save("a.txt", "third") == INVMAN_OK && holds("a.txt", "third"));
}

static void readers(void) {
  invman_context ctx = context();
  invman_net net, back;
  invman_data data;
  invman_rng rng;
  invman_rng_seed(&rng, 1, 1);
  CHECK(invman_net_init(&ctx, 30, 20, &rng, &net) == INVMAN_OK);
  CHECK(invman_net_save(&ctx, &net, LETTERS ".net") == INVMAN_OK);
  CHECK(invman_net_load(&ctx, LETTERS ".net", &back) == INVMAN_OK && back.h == 30);
  CHECK(refused(invman_net_load(&ctx, "none.net", &back), "there is no such file"));
  CHECK(save(LETTERS ".csv", "0.5,1\r\n1.5,-1\r\n") == INVMAN_OK);
  CHECK(invman_data_read_csv(&ctx, LETTERS ".csv", &data) == INVMAN_OK && data.n == 2);
}

static int files_in(const wchar_t *pattern) {
  struct _wfinddata_t found;
  intptr_t list = _wfindfirst(pattern, &found);
  int count = list != -1;
  while (list != -1 && _wfindnext(list, &found) == 0) count++;
  return count;
}

int main(void) {
  CHECK(_mkdir("d") == 0);
  names();
  refusals();
  devices();
  held();
  readers();
  CHECK(files_in(L"*.tmp????????") == 0 && files_in(L"d\\*.tmp????????") == 0 && files_in(L"*.txt") == 3);
  printf("%d failed\n", failed);
  return failed != 0;
}
