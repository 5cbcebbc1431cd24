/* points.h: labelled points for the programs of this directory, behind tool.h: from a table as people have them, or from
   images. A program puts POINT_OPTIONS into the table of its options, with the flag that names the table, and calls

     check_point_options(flag)   whether the options go together
     read_points(ctx, &points)   reads the files
     shuffle_points              in the order that a seed gives; `part` of tool.h then takes views
     standardise_points          by the mean and deviation of the training points
     flip_labels                 some of a training set's, also of a model's points
     advise                      what may be wrong with the table, before the work begins

   A table has one separator (commas, semicolons, tabs or spaces), perhaps a line of names first, and fields that may be
   quoted. Lines and columns are counted from 1. */
#ifndef POINTS_H
#define POINTS_H

#include "tool.h"

static struct {
  const char *csv, *idx[2], *test_csv, *label, *positive, *drop;
  int standardise;
  double flip;
} source;

TOOL void read_share(const option *o, const char *word) {
  *(double *)o->place = strcmp(word, "0") ? positive_number(o, word) : 0;
}

#define TABLE_OPTIONS(flag)                                                                                           \
  {                                                                                                                   \
      flag, "FILE", read_input, &source.csv,                                                                          \
      0,    0,      NULL,       "own points: a table, a line each, perhaps a line of names first",                    \
      0},                                                                                                             \
      {"--label-column", "NAME|N", read_name, &source.label, 0, 0, NULL, "the column of the labels (the last)", 0},   \
      {"--positive",                                                                                                  \
       "VALUE,...",                                                                                                   \
       read_name,                                                                                                     \
       &source.positive,                                                                                              \
       0,                                                                                                             \
       0,                                                                                                             \
       NULL,                                                                                                          \
       "labels that are +1, all others being -1 (none: labels are -1 and +1)",                                        \
       0},                                                                                                            \
      {"--drop", "NAME,...", read_name, &source.drop, 0, 0, NULL, "columns that are left out, by name or number", 0}, \
  {                                                                                                                   \
    "--standardise", NULL, read_switch, &source.standardise, 0, 0, NULL,                                              \
        "inputs with mean 0 and deviation 1, as the training points have them", 0                                     \
  }

#define POINT_OPTIONS(flag)                                                               \
  TABLE_OPTIONS(flag),                                                                    \
      {"--test-csv",                                                                      \
       "FILE",                                                                            \
       read_input,                                                                        \
       &source.test_csv,                                                                  \
       0,                                                                                 \
       0,                                                                                 \
       NULL,                                                                              \
       "test points from another table with the same columns",                            \
       0},                                                                                \
      {"--idx",    "IMAGES LABELS",                                                       \
       read_input, source.idx,                                                            \
       0,          0,                                                                     \
       NULL,       "images in IDX files (MNIST's, unpacked): even or odd digit",          \
       0},                                                                                \
  {                                                                                       \
    "--flip", "SHARE", read_share, &source.flip, 0, 0.5, "0",                             \
        "probability that a training label is flipped; the labels of test points stay", 0 \
  }

TOOL int own_points(void) { return source.csv || source.idx[0]; }

/* ---- fields and numbers */

typedef struct fields { /* the fields of a line, each ended by a 0 */
  char **at;
  size_t count, room;
} fields;

/* Removes the quotation marks around a field and the white space around that; a doubled mark within stands for one. */
static char *bare(char *at, char *stop) {
  char *to, *from;
  while (at < stop && (*at == ' ' || *at == '\t')) at++;
  while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
  *stop = 0;
  if (stop - at < 2 || *at != '"' || stop[-1] != '"') return at;
  stop[-1] = 0;
  for (to = from = at + 1; *from; from++) {
    if (*from == '"' && from[1] == '"') from++;
    *to++ = *from;
  }
  *to = 0;
  return bare(at + 1, to);
}

/* Where the field that begins here ends; NULL: its quotation mark is not closed. */
static char *cell_end(char *at, char separator) {
  at += separator == ' ' ? 0 : strspn(at, " ");
  if (*at == '"')
    for (at++;; at++) {
      if (!*at) return NULL;
      if (*at == '"' && *++at != '"') break;
    }
  while (*at && *at != separator) at++;
  return at;
}

static void split(const char *path, char *line, char separator, size_t number, fields *c) {
  char *at = line;
  int more = 1;
  for (c->count = 0; more; c->count++) {
    char *stop = cell_end(at, separator), *next;
    if (!stop) fail("%s: a quotation mark is not closed (line %lu)", path, (unsigned long)number);
    more = *stop != 0;
    for (next = stop + more; separator == ' ' && *next == ' ';) next++;
    if (c->count == c->room) c->at = (char **)enlarge(c->at, &c->room, sizeof *c->at);
    c->at[c->count] = bare(at, stop);
    at = next;
  }
}

/* Of a line, outside quotation marks: semicolons before commas before tabs before spaces. */
static char separator_of(const char *line) {
  int quoted = 0, seen[256] = {0};
  for (; *line; line++) {
    quoted ^= *line == '"';
    if (!quoted) seen[(unsigned char)*line] = 1;
  }
  return seen[';'] ? ';' : seen[','] ? ',' : seen['\t'] ? '\t' : ' ';
}

static int same_word(const char *a, const char *b) { /* but for case */
  for (; *a && *b; a++, b++)
    if ((*a >= 'A' && *a <= 'Z' ? *a - 'A' + 'a' : *a) != *b) return 0;
  return !*a && !*b;
}

static int is_missing(const char *cell) {
  static const char *const words[] = {"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?"};
  size_t k;
  for (k = 0; k < sizeof words / sizeof *words; k++)
    if (same_word(cell, words[k])) return 1;
  return 0;
}

/* Decimal numbers alone: no hexadecimal ones, and no names of numbers. The programs stay in the C locale. */
static int is_number(const char *cell, double *value) {
  char *end;
  if (!*cell || cell[strspn(cell, "0123456789+-.eE")]) return 0;
  *value = strtod(cell, &end);
  return end > cell && !*end;
}

/* ---- a table */

enum { CLASSES_MOST = 1000 };

typedef struct sheet {
  const char *path;
  char *text;            /* of the file; names and labels are parts of it */
  size_t columns;        /* of the file */
  size_t *input, inputs; /* which of them are inputs */
  size_t label;          /* which has the labels */
  char **name;           /* (columns) x1, x2, .. where there are none */
  int named;             /* whether there are */
  size_t n;
  double *x; /* (n,inputs) */
  size_t x_room;
  size_t *of_class, class_room; /* (n) */
  const char *of_value[CLASSES_MOST];
  size_t of_line[CLASSES_MOST]; /* the first that has it */
  size_t classes;
  unsigned char positive[CLASSES_MOST];
} sheet;

/* Whether the numbers of a line are 0, 1, 2, .. and some fields are names: columns of which some have no name. */
static int counts_columns(const fields *c) {
  double value, count = 0;
  size_t j, names = 0;
  for (j = 0; j < c->count; j++) {
    if (!is_number(c->at[j], &value)) {
      names += *c->at[j] != 0;
      continue;
    }
    if (value != count++ || strspn(c->at[j], "0123456789") != strlen(c->at[j])) return 0;
  }
  return count > 1 && names > 0;
}

/* Whether a line, the first, is of names: one at least, and nothing that is a number or stands for one. */
static int is_header(const fields *c) {
  double value;
  size_t j, names = 0;
  for (j = 0; j < c->count; j++) {
    if (is_number(c->at[j], &value) || (*c->at[j] && is_missing(c->at[j]))) return counts_columns(c);
    names += *c->at[j] != 0;
  }
  return names > 0;
}

static void set_names(sheet *s, const fields *c, int named) {
  size_t j;
  s->columns = c->count;
  s->named = named;
  s->name = (char **)zeros(c->count, 1, sizeof *s->name);
  for (j = 0; j < c->count; j++) {
    if (named && *c->at[j]) {
      s->name[j] = joined(c->at[j], "", "");
    } else {
      char number[32];
      snprintf(number, sizeof number, "x%lu", (unsigned long)j + 1);
      s->name[j] = joined(number, "", "");
    }
  }
}

/* The column that a word means: a name, or else a number from 1 on. */
static size_t find_column(const sheet *s, const char *flag, const char *word) {
  size_t j, found = s->columns;
  char *end;
  unsigned long long number;
  for (j = 0; j < s->columns; j++) {
    if (strcmp(s->name[j], word)) continue;
    if (found < s->columns)
      fail("%s: %s: two columns are called '%s' (columns %lu and %lu)", flag, s->path, word, (unsigned long)found + 1,
           (unsigned long)j + 1);
    found = j;
  }
  if (found < s->columns) return found;
  number = strtoull(word, &end, 10);
  if (*word >= '0' && *word <= '9' && !*end) {
    if (number < 1 || number > s->columns)
      fail("%s: %s has columns 1 to %lu, and no column %s", flag, s->path, (unsigned long)s->columns, word);
    return (size_t)number - 1;
  }
  fail("%s: %s has no column '%s'%s", flag, s->path, word, s->named ? "" : ": it has no line of names");
  return 0;
}

/* The next of the words between commas; a word with a comma is quoted. to: room for all of them. */
static const char *next_word(const char *words, char *to) {
  int quoted = 0;
  for (; *words && (quoted || *words != ','); words++) {
    if (*words == '"') quoted = !quoted;
    else *to++ = *words;
  }
  *to = 0;
  return *words ? words + 1 : NULL;
}

/* Which columns are inputs, and which has the labels. */
static void choose_columns(sheet *s) {
  unsigned char *out = (unsigned char *)zeros(s->columns, 1, 1);
  const char *words = source.drop;
  char *word = (char *)zeros(words ? strlen(words) + 1 : 1, 1, 1);
  size_t j;
  s->label = source.label ? find_column(s, "--label-column", source.label) : s->columns - 1;
  while (words) {
    words = next_word(words, word);
    j = find_column(s, "--drop", word);
    if (j == s->label) fail("--drop: '%s' is the column of the labels", word);
    out[j] = 1;
  }
  out[s->label] = 1;
  s->input = (size_t *)zeros(s->columns, 1, sizeof *s->input);
  for (j = 0; j < s->columns; j++)
    if (!out[j]) s->input[s->inputs++] = j;
  if (s->inputs == 0) fail("%s: no column is left for the inputs", s->path);
  free(out);
  free(word);
}

/* The columns of a test table that are a training table's: by their names where both have them, else by place. */
static void match_columns(sheet *s, const sheet *as) {
  size_t j, k;
  if (s->columns != as->columns)
    fail("%s: %lu columns, but %s has %lu", s->path, (unsigned long)s->columns, as->path, (unsigned long)as->columns);
  s->label = as->label;
  s->inputs = as->inputs;
  s->input = (size_t *)zeros(s->columns, 1, sizeof *s->input);
  memcpy(s->input, as->input, s->inputs * sizeof *s->input);
  if (!s->named || !as->named) return;
  for (j = 0; j <= as->inputs; j++) {
    size_t *to = j < as->inputs ? &s->input[j] : &s->label;
    const char *name = as->name[*to];
    if (!strcmp(s->name[*to], name)) continue; /* also of two that share a name */
    for (k = 0; k < s->columns && strcmp(s->name[k], name);) k++;
    if (k == s->columns) fail("%s: no column '%s', which %s has", s->path, name, as->path);
    *to = k;
  }
}

static void wrong_cell(const sheet *s, size_t line, size_t j, const char *cell) {
  double value;
  const char *what = is_missing(cell)                                                ? "a value is missing"
                     : strpbrk(cell, ",") && !cell[strspn(cell, "0123456789+-.,eE")] ? "a decimal comma: write a point"
                     : cell[strspn(cell, "0123456789+-.eE")] == 0 && is_number(cell, &value) ? "a number is not finite"
                     : same_word(cell, "inf") || same_word(cell, "-inf") || same_word(cell, "+inf")
                         ? "a number is not finite"
                         : NULL;
  char shown[64];
  snprintf(shown, sizeof shown, "'%.40s' is not a number", cell);
  fail("%s: %s (line %lu, column %lu%s%s%s)", s->path, what ? what : shown, (unsigned long)line, (unsigned long)j + 1,
       s->named ? ", '" : "", s->named ? s->name[j] : "", s->named ? "'" : "");
}

static int same_label(const char *a, const char *b) {
  double x, y;
  return !strcmp(a, b) || (is_number(a, &x) && is_number(b, &y) && x == y);
}

static size_t class_of(sheet *s, const char *value, size_t line) {
  size_t k, last = s->n > 0 ? s->of_class[s->n - 1] : 0;
  if (s->n > 0 && same_label(s->of_value[last], value)) return last;
  for (k = 0; k < s->classes; k++)
    if (same_label(s->of_value[k], value)) return k;
  if (k == CLASSES_MOST)
    fail("%s: more than %d different labels (line %lu, column %lu, '%s'): are these classes? --label-column says where "
         "the labels are",
         s->path, (int)CLASSES_MOST, (unsigned long)line, (unsigned long)s->label + 1, s->name[s->label]);
  s->of_value[k] = joined(value, "", "");
  s->of_line[k] = line;
  return s->classes++;
}

static void take_point(sheet *s, const fields *c, size_t line) {
  size_t j;
  if (c->count != s->columns)
    fail("%s: %lu column%s, but %lu %s (line %lu)", s->path, (unsigned long)c->count, c->count == 1 ? "" : "s",
         (unsigned long)s->columns, s->named ? "names" : "on the lines before", (unsigned long)line);
  while (s->x_room < (s->n + 1) * s->inputs) s->x = (double *)enlarge(s->x, &s->x_room, sizeof *s->x);
  if (s->n == s->class_room) s->of_class = (size_t *)enlarge(s->of_class, &s->class_room, sizeof *s->of_class);
  for (j = 0; j < s->inputs; j++) {
    const char *cell = c->at[s->input[j]];
    double *value = &s->x[s->n * s->inputs + j];
    if (!is_number(cell, value) || !(fabs(*value) <= DBL_MAX)) wrong_cell(s, line, s->input[j], cell);
  }
  if (is_missing(c->at[s->label])) wrong_cell(s, line, s->label, c->at[s->label]);
  s->of_class[s->n] = class_of(s, c->at[s->label], line);
  s->n++;
}

/* as: the table whose columns these must be; NULL: as the options say. */
static sheet read_sheet(const char *path, const sheet *as) {
  sheet s;
  fields c = {NULL, 0, 0};
  size_t size, line = 1;
  char *at, *end, *next, separator = 0;
  const char *other;
  memset(&s, 0, sizeof s);
  s.path = path;
  s.text = at = read_whole_file(path, &size);
  if (!at) fail("%s: the file cannot be read", path);
  other = size >= 6 && !memcmp(at, "\x93NUMPY", 6) ? "a .npy file of NumPy: save the table as text"
                                                   : other_format(at, size);
  if (other) fail("%s: this is %s (byte 0)", path, other);
  end = at + size;
  if (size > 1 && memchr(at, '\r', size - 1) && !memchr(at, '\n', size))
    fail("%s: text whose lines end with CR alone: save it with LF or CR LF", path);
  if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3; /* a byte order mark */
  for (; at < end; at = next, line++) {
    char *stop = (char *)memchr(at, '\n', (size_t)(end - at));
    next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    *stop = 0;
    if (strlen(at) != (size_t)(stop - at)) fail("%s: not a text (line %lu)", path, (unsigned long)line);
    while (stop > at && (stop[-1] == '\r' || stop[-1] == ' ')) *--stop = 0;
    at += strspn(at, " ");
    if (!at[strspn(at, " \t")] || (*at == '#' && strncmp(at, "#N/A", 4))) continue;
    if (!separator) separator = separator_of(at);
    split(path, at, separator, line, &c);
    if (s.columns == 0) {
      int names = is_header(&c);
      if (c.count < 2) fail("%s: a point has one input at least, and its label (line %lu)", path, (unsigned long)line);
      set_names(&s, &c, names);
      if (as) match_columns(&s, as);
      else choose_columns(&s);
      if (names) continue;
    }
    take_point(&s, &c, line);
  }
  if (s.n == 0) fail("%s: no points", path);
  free(c.at);
  return s;
}

/* ---- labels */

/* The first values, as many as fit on a line. */
static const char *list_classes(const sheet *s) {
  static char shown[160];
  size_t k, length = 0;
  for (k = 0; k < s->classes; k++) {
    length += (size_t)snprintf(shown + length, sizeof shown - length, "%s%.20s", k ? ", " : "", s->of_value[k]);
    if (length > sizeof shown - 40) break;
  }
  if (k + 1 < s->classes) snprintf(shown + length, sizeof shown - length, ", ... (%lu)", (unsigned long)s->classes);
  return shown;
}

/* Which labels are +1. `occur`: whether each value that is named must be there. */
static void choose_positive(sheet *s, int occur) {
  const char *words = source.positive;
  char *word = (char *)zeros(words ? strlen(words) + 1 : 1, 1, 1);
  size_t k, plus = 0;
  while (words) {
    int found = 0;
    words = next_word(words, word);
    for (k = 0; k < s->classes; k++)
      if (same_label(s->of_value[k], word)) s->positive[k] = (unsigned char)(found = 1);
    if (!found && occur)
      fail("--positive: no label of %s is '%s'; column %lu, '%s', has: %s", s->path, word, (unsigned long)s->label + 1,
           s->name[s->label], list_classes(s));
  }
  free(word);
  for (k = 0; k < s->classes; k++) {
    double value = 0;
    if (!source.positive && (!is_number(s->of_value[k], &value) || fabs(value) != 1))
      fail("%s: the label '%.40s' is neither -1 nor +1 (line %lu, column %lu, '%s'). The labels there are %s: "
           "--label-column chooses their column, --positive those that are +1",
           s->path, s->of_value[k], (unsigned long)s->of_line[k], (unsigned long)s->label + 1, s->name[s->label],
           list_classes(s));
    if (value > 0) s->positive[k] = 1;
    plus += s->positive[k];
  }
  if (source.positive && occur && plus == s->classes)
    fail("--positive: all labels of %s are +1: none of %s is left for -1", s->path, list_classes(s));
}

static invman_data data_of(sheet *s) {
  invman_data data;
  size_t i;
  data.n = s->n;
  data.d = s->inputs;
  data.x = s->x;
  data.y = numbers(s->n, 1);
  for (i = 0; i < s->n; i++) data.y[i] = s->positive[s->of_class[i]] ? 1 : -1;
  return data;
}

static void free_sheet(sheet *s) { /* but the points */
  size_t j;
  for (j = 0; j < s->columns; j++) free(s->name[j]);
  for (j = 0; j < s->classes; j++) {
    char *value;
    memcpy(&value, &s->of_value[j], sizeof value);
    free(value);
  }
  free(s->name);
  free(s->input);
  free(s->of_class);
  free(s->text);
}

/* ---- points */

typedef struct point_set {
  invman_data all, test; /* test: of --test-csv */
  char **name;           /* (d) of the inputs of a table; NULL: they have none */
  size_t shape[3];       /* of an image */
  size_t first_column;   /* of the first input, from 1 on */
} point_set;

/* flag: that of the table. */
TOOL void check_point_options(const char *flag) {
  static const char *const of_tables[] = {"--label-column", "--positive", "--drop", "--standardise", "--test-csv"};
  size_t k;
  for (k = 0; k < sizeof of_tables / sizeof *of_tables; k++)
    if (given(of_tables[k]) && !source.csv) fail("%s: only a table has columns: give %s", of_tables[k], flag);
  if (given("--model") + (source.csv != NULL) + (source.idx[0] != NULL) > 1)
    fail("give one of --model, %s and --idx", flag);
}

static void read_table_points(point_set *s) {
  sheet train = read_sheet(source.csv, NULL), test;
  size_t j;
  choose_positive(&train, 1);
  s->all = data_of(&train);
  s->first_column = train.input[0] + 1;
  s->name = (char **)zeros(train.inputs, 1, sizeof *s->name);
  for (j = 0; j < train.inputs; j++) s->name[j] = joined(train.name[train.input[j]], "", "");
  if (source.test_csv) {
    test = read_sheet(source.test_csv, &train);
    choose_positive(&test, 0);
    s->test = data_of(&test);
    free_sheet(&test);
  }
  free_sheet(&train);
}

/* Of the files that the options name. */
TOOL void read_points(const invman_context *ctx, point_set *s) {
  memset(s, 0, sizeof *s);
  if (source.csv) read_table_points(s);
  else s->all = read_images(ctx, source.idx, s->shape);
}

TOOL const char *points_path(void) { return source.csv ? source.csv : source.idx[0]; }
TOOL const char *points_about(void) { return source.csv ? "csv" : "images"; }

TOOL void free_points(const invman_context *ctx, point_set *s) {
  size_t j;
  if (!s->name) {
    invman_data_free(ctx, &s->all);
    return;
  }
  for (j = 0; j < s->all.d; j++) free(s->name[j]);
  free(s->name);
  free(s->all.x);
  free(s->all.y);
  free(s->test.x);
  free(s->test.y);
}

TOOL invman_data copy_points(const invman_data *data) {
  invman_data copy = *data;
  copy.x = numbers(data->n, data->d);
  copy.y = numbers(data->n, 1);
  if (data->n == 0) return copy;
  memcpy(copy.x, data->x, data->n * data->d * sizeof *copy.x);
  memcpy(copy.y, data->y, data->n * sizeof *copy.y);
  return copy;
}

TOOL void drop_points(invman_data *data) { /* of copy_points */
  free(data->x);
  free(data->y);
}

/* The order that a seed gives. */
TOOL void shuffle_points(point_set *s, size_t seed) {
  invman_rng rng;
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TRAIN);
  invman_data_shuffle(&s->all, &rng);
  invman_rng_seed(&rng, seed, INVMAN_STREAM_TEST);
  if (s->test.n > 0) invman_data_shuffle(&s->test, &rng);
}

/* n test points: of --test-csv, or the next ones of all from *first on; n 0: all that there are. */
TOOL invman_data test_part(const point_set *s, size_t *first, size_t n) {
  size_t begin = 0;
  if (source.test_csv) return part(&s->test, &begin, n ? n : s->test.n, "--test-size", source.test_csv);
  return part(&s->all, first, n ? n : s->all.n - *first, "--test-size", points_path());
}

static void move_and_scale(invman_data *data, size_t j, double mean, double unit) {
  size_t i;
  for (i = 0; i < data->n; i++) data->x[i * data->d + j] = (data->x[i * data->d + j] - mean) / unit;
}

/* The mean and the deviation of an input, in two passes; a deviation of rounding alone is 0. */
static double mean_and_deviation(const invman_data *data, size_t j, double *mean) {
  double square = 0, size = 0;
  size_t i;
  for (*mean = 0, i = 0; i < data->n; i++) *mean += (data->x[i * data->d + j] - data->x[j]) / (double)data->n;
  *mean += data->x[j];
  for (i = 0; i < data->n; i++) {
    square += pow(data->x[i * data->d + j] - *mean, 2) / (double)data->n;
    size = larger(size, fabs(data->x[i * data->d + j]));
  }
  return sqrt(square) > 8 * DBL_EPSILON * size ? sqrt(square) : 0;
}

/* A number that tells other points, or labels, from these (FNV-1a). */
static uint64_t hash_of(uint64_t hash, const invman_data *data) {
  size_t i, bytes = data->n * data->d * sizeof(double);
  const unsigned char *x = (const unsigned char *)data->x;
  for (i = 0; i < bytes; i++) hash = (hash ^ x[i]) * UINT64_C(1099511628211);
  for (i = 0; i < data->n; i++) hash = (hash ^ (data->y[i] > 0)) * UINT64_C(1099511628211);
  return hash;
}

TOOL uint64_t points_hash(const point_set *s) {
  return hash_of(hash_of(UINT64_C(14695981039346656037), &s->all), &s->test);
}

/* Where --standardise asks for it. An input that is the same in all training points is moved, and not scaled. */
TOOL void standardise_points(point_set *s, const invman_data *train) {
  size_t j;
  if (!source.standardise) return;
  for (j = 0; j < s->all.d; j++) {
    double mean, deviation = mean_and_deviation(train, j, &mean);
    move_and_scale(&s->all, j, mean, deviation > 0 ? deviation : 1);
    move_and_scale(&s->test, j, mean, deviation > 0 ? deviation : 1);
  }
}

enum { STREAM_FLIP = 31 };

/* Each label with the probability that --flip gives, whatever points come behind it. Returns how many. */
TOOL size_t flip_labels(invman_data *train, size_t seed, uint64_t of_stream) {
  size_t i, flipped = 0;
  invman_rng rng;
  invman_rng_seed(&rng, seed, STREAM_FLIP + of_stream);
  for (i = 0; i < train->n && source.flip > 0; i++)
    if (invman_rng_uniform(&rng) < source.flip) {
      train->y[i] = -train->y[i];
      flipped++;
    }
  return flipped;
}

/* Whether the first input is k, k+1, k+2, .. down the lines, k being 0 or 1. */
static int is_index(const invman_data *data) {
  size_t i;
  if (data->n < 3 || data->d < 2 || (data->x[0] != 0 && data->x[0] != 1)) return 0;
  for (i = 1; i < data->n; i++)
    if (data->x[i * data->d] != data->x[0] + (double)i) return 0;
  return 1;
}

enum { UNLIKE = 1000 };

/* What may be wrong with a table as it was read, before it is shuffled: to be said once, when all else is right. */
TOOL char *advice(const point_set *s) {
  text t = {NULL, 0, 0};
  size_t j, least = 0, most = 0;
  double low = 0, high = 0, mean;
  if (!s->name) return NULL;
  if (is_index(&s->all))
    put(&t, "%s: column %lu, '%s', counts the lines: if it is an index, leave it out by --drop %lu\n", source.csv,
        (unsigned long)s->first_column, s->name[0], (unsigned long)s->first_column);
  for (j = 0; j < s->all.d; j++) {
    double deviation = mean_and_deviation(&s->all, j, &mean);
    if (!(deviation > 0)) continue;
    if (low == 0 || deviation < low) low = deviation, least = j;
    if (deviation > high) high = deviation, most = j;
  }
  if (low > 0 && high >= UNLIKE * low && !source.standardise)
    put(&t, "%s: the deviation of '%s' is %.3g, that of '%s' %.3g: networks see the first alone; try --standardise\n",
        source.csv, s->name[most], high, s->name[least], low);
  return t.at;
}

/* Says it; and frees it. */
TOOL void advise(char *lines) {
  char *line = lines, *end;
  for (; line && *line; line = end + 1) {
    end = strchr(line, '\n');
    *end = 0;
    warn("%s", line);
  }
  free(lines);
}

#endif
