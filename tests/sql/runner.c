/*
 * runner.c - runs .test files in sqllogictest form over the engine's API, in several ways of execution.
 *
 * Usage: runner [--config FILE] [--mode NAME]... [--verbose] FILE ...
 *
 * Records, separated by blank lines; '#' begins a comment line:
 *     statement ok                      the SQL below must succeed
 *     statement error TEXT              must fail; TEXT is a part of "SQLSTATE: message (line:column) detail hint"
 *     query TYPES [nosort|rowsort|valuesort]
 *     SQL
 *     ----
 *     expected values, one per line (a row's values one after the other), or tab-separated, a row per line
 *     halt                              ends the file
 *     onlyif MODE / skipif MODE         for the next record
 * TYPES has a letter per column (only their number is checked). NULL is printed NULL, an empty text (empty).
 *
 * Each file is run once per mode, each in a session of its own; every mode must give the same rows. Tables of
 * memory catalogs are shared by the process: files drop what they create. Exit status 1 if a record failed;
 * the last line counts records.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/os.h"
#include "engine/tributary.h"

#define MAX_TEXT ((size_t)64 << 20)

typedef struct Mode {
    const char *name;
    const char *settings[8]; /* name, value pairs */
} Mode;

static const Mode modes[] = {
    {"plain", {NULL}},
    {"local", {"push_down", "off", NULL}},
    {"verify", {"push_down", "verify", NULL}},
    {"spill", {"force_spill", "true", "threads", "2", NULL}},
    {"localspill", {"push_down", "off", "force_spill", "true", "threads", "1", NULL}},
    {"threads1", {"threads", "1", NULL}},
    {"threads8", {"threads", "8", NULL}},
    {"buffer", {"read_ahead", "spill", "force_spill", "true", NULL}},
};

typedef struct Runner {
    const char *file;
    const Mode *mode;
    bool verbose;
    Statement *statement;
    uint32_t line;
    uint64_t passed, failed;
} Runner;

typedef struct Lines {
    Str text;
    size_t at;
    uint32_t number;
} Lines;

static bool next_line(Lines *self, Str *out) {
    if (self->at >= self->text.len) return false;
    const char *start = self->text.data + self->at;
    const char *end = memchr(start, '\n', self->text.len - self->at);
    size_t len = end ? (size_t)(end - start) : self->text.len - self->at;
    self->at += len + (end ? 1 : 0);
    self->number++;
    *out = (Str){start, len};
    return true;
}

static bool starts(Str line, const char *with) {
    size_t n = strlen(with);
    return line.len >= n && memcmp(line.data, with, n) == 0 &&
           (line.len == n || line.data[n] == ' ');
}

static Str rest_after(Str line, const char *word) {
    size_t n = strlen(word);
    return str_trim((Str){line.data + n, line.len - n});
}

static void fail(Runner *self, const char *what, const char *detail) {
    self->failed++;
    printf("%s:%u [%s] %s\n", self->file, self->line, self->mode->name, what);
    if (detail && *detail) printf("%s\n", detail);
}

/* ---------------------------------------------------------------- running */

/* Values of a result in order, NUL-terminated, one after the other. */
typedef struct Values {
    Buf text;
    size_t *starts;
    size_t count, capacity;
    uint32_t columns;
} Values;

static void values_add(Values *self, Str value) {
    if (self->count == self->capacity) {
        self->capacity = self->capacity ? self->capacity * 2 : 256;
        self->starts = heap_resize(self->starts, self->capacity * sizeof *self->starts);
        if (!self->starts) exit(2);
    }
    self->starts[self->count++] = self->text.len;
    buf_str(&self->text, value);
    buf_add(&self->text, "", 1);
}

static void values_clear(Values *self) {
    buf_clear(&self->text);
    heap_free(self->starts);
    *self = (Values){0};
}

static Status add_cell(Values *out, const ColumnView *column, uint32_t position, Error *err) {
    Buf value;
    buf_init(&value, NULL, MAX_TEXT);
    bool null = column_value_null(column, position);
    Status status = null ? TRIB_OK : column_value_text(column, position, &value, err);
    values_add(out, null ? STR("NULL") : value.len ? buf_view(&value) : STR("(empty)"));
    buf_clear(&value);
    return status;
}

static Status collect(Statement *statement, Values *out, Error *err) {
    out->columns = statement_column_count(statement);
    if (statement_kind(statement) != STATEMENT_QUERY) return TRIB_OK;
    for (;;) {
        const BatchView *batch;
        TRY(statement_fetch(statement, &batch, err));
        if (batch->rows == 0) return TRIB_OK;
        for (uint32_t r = 0; r < batch->rows; r++) {
            uint32_t position = batch->selection ? batch->selection[r] : r;
            for (uint32_t c = 0; c < batch->ncolumns; c++)
                TRY(add_cell(out, &batch->columns[c], position, err));
        }
    }
}

static Status run_sql(Runner *self, Str sql, Values *out, Error *err) {
    buf_init(&out->text, NULL, MAX_TEXT);
    TRY(statement_prepare(self->statement, sql, err));
    TRY(statement_execute(self->statement, err));
    Status status = collect(self->statement, out, err);
    statement_close(self->statement);
    return status;
}

/* ---------------------------------------------------------------- comparing */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The values as lines: rows joined by tabs, sorted as asked. */
static char **as_lines(const Values *values, uint32_t columns, const char *sort, size_t *count) {
    uint32_t per_line = strcmp(sort, "valuesort") == 0 ? 1 : columns;
    *count = values->count / per_line;
    char **lines = heap_alloc((*count + 1) * sizeof *lines);
    for (size_t i = 0; lines && i < *count; i++) {
        Buf line;
        buf_init(&line, NULL, MAX_TEXT);
        for (uint32_t c = 0; c < per_line; c++) {
            if (c) buf_char(&line, '\t');
            buf_text(&line, values->text.data + values->starts[i * per_line + c]);
        }
        lines[i] = line.data;
    }
    if (lines && strcmp(sort, "nosort") != 0) qsort(lines, *count, sizeof *lines, compare_texts);
    return lines;
}

static void print_lines(Buf *out, const char *title, char **lines, size_t count) {
    buf_printf(out, "  %s:\n", title);
    for (size_t i = 0; i < count && i < 40; i++) buf_printf(out, "    %s\n", lines[i]);
}

static void compare(Runner *self, const Values *got, const Values *want, uint32_t columns,
                    const char *sort) {
    size_t ngot, nwant;
    char **a = as_lines(got, columns, sort, &ngot), **b = as_lines(want, columns, sort, &nwant);
    bool same = ngot == nwant && got->count == want->count;
    for (size_t i = 0; same && i < ngot; i++) same = strcmp(a[i], b[i]) == 0;
    if (same) {
        self->passed++;
    } else {
        Buf text;
        buf_init(&text, NULL, 1 << 20);
        print_lines(&text, "expected", b, nwant);
        print_lines(&text, "got", a, ngot);
        fail(self, "wrong rows", text.data);
        buf_clear(&text);
    }
    for (size_t i = 0; i < ngot; i++) heap_free(a[i]);
    for (size_t i = 0; i < nwant; i++) heap_free(b[i]);
    heap_free(a);
    heap_free(b);
}

static void describe(const Error *err, char *out, size_t size) {
    snprintf(out, size, "%s: %s (%u:%u) %s %s", err->sqlstate, err->message, err->line, err->column,
             err->detail, err->hint);
}

/* ---------------------------------------------------------------- records */

static void do_statement(Runner *self, Str header, Str sql) {
    Values none = {0};
    Error err;
    char text[2600] = "", pattern[512];
    bool want_error = starts(header, "error");
    Status status = run_sql(self, sql, &none, &err);
    values_clear(&none);
    if (status != TRIB_OK) describe(&err, text, sizeof text);
    snprintf(pattern, sizeof pattern, STR_FORMAT,
             STR_ARGS(rest_after(header, want_error ? "error" : "ok")));
    if (want_error && status == TRIB_OK)
        fail(self, "should have failed with", pattern);
    else if (want_error && !strstr(text, pattern))
        fail(self, "failed with another error:", text);
    else if (!want_error && status != TRIB_OK)
        fail(self, "failed:", text);
    else
        self->passed++;
}

static void expected_values(Lines *lines, uint32_t columns, Values *out) {
    Str line;
    buf_init(&out->text, NULL, MAX_TEXT);
    while (next_line(lines, &line) && line.len) {
        for (const char *tab = ""; tab;) {
            tab = columns > 1 ? memchr(line.data, '\t', line.len) : NULL;
            size_t n = tab ? (size_t)(tab - line.data) : line.len;
            values_add(out, (Str){line.data, n});
            if (tab) line = (Str){line.data + n + 1, line.len - n - 1};
        }
    }
}

static void do_query(Runner *self, Str header, Str sql, Lines *lines, bool has_result) {
    Values got = {0}, want = {0};
    Error err;
    const char *space = memchr(header.data, ' ', header.len);
    uint32_t columns = (uint32_t)(space ? (size_t)(space - header.data) : header.len);
    char sort[16] = "nosort";
    if (space)
        snprintf(sort, sizeof sort, STR_FORMAT,
                 STR_ARGS(str_trim((Str){space, header.len - columns})));
    if (has_result)
        expected_values(lines, columns, &want);
    else
        buf_init(&want.text, NULL, MAX_TEXT);
    if (columns == 0) {
        fail(self, "query needs a letter per column", NULL);
    } else if (run_sql(self, sql, &got, &err) != TRIB_OK) {
        char text[2600];
        describe(&err, text, sizeof text);
        fail(self, "failed:", text);
    } else if (got.columns != columns) {
        fail(self, "has another number of columns", NULL);
    } else {
        compare(self, &got, &want, columns, sort);
    }
    values_clear(&got);
    values_clear(&want);
}

/* The SQL of a record: up to a blank line or ----. *result: it ended with ----. */
static void read_sql(Lines *lines, Buf *sql, bool *result) {
    Str line;
    *result = false;
    while (next_line(lines, &line) && line.len) {
        if (str_equal(line, STR("----"))) {
            *result = true;
            return;
        }
        if (sql->len) buf_char(sql, '\n');
        buf_str(sql, line);
    }
}

static void do_record(Runner *self, Str line, Lines *lines, bool skip) {
    Buf sql;
    bool result;
    self->line = lines->number;
    buf_init(&sql, NULL, MAX_TEXT);
    read_sql(lines, &sql, &result);
    if (self->verbose) printf("%s:%u [%s]\n", self->file, self->line, self->mode->name);
    if (skip) {
        Values ignored = {0};
        if (result) expected_values(lines, 1, &ignored);
        values_clear(&ignored);
    } else if (starts(line, "statement")) {
        do_statement(self, rest_after(line, "statement"), buf_view(&sql));
    } else if (starts(line, "query")) {
        do_query(self, rest_after(line, "query"), buf_view(&sql), lines, result);
    } else {
        fail(self, "is not a record", NULL);
    }
    buf_clear(&sql);
}

static void run_file(Runner *self, Str text) {
    Lines lines = {.text = text};
    Str line;
    bool skip = false;
    while (next_line(&lines, &line)) {
        if (line.len == 0 || line.data[0] == '#') continue;
        if (starts(line, "halt")) return;
        if (starts(line, "onlyif") || starts(line, "skipif")) {
            bool is = str_equal(rest_after(line, "onlyif"), str_from(self->mode->name));
            skip |= starts(line, "onlyif") ? !is : is;
            continue;
        }
        do_record(self, line, &lines, skip);
        skip = false;
    }
}

static void run_mode(Runner *self, Str text, const char *config) {
    Error err;
    Session *session;
    SessionParams params = {.config = str_from(config), .deadline_ns = INT64_MAX};
    if (session_open(&params, NULL, NULL, &session, &err) != TRIB_OK) {
        fail(self, "no session:", err.message);
        return;
    }
    for (uint32_t i = 0; self->mode->settings[i]; i += 2) {
        Str name = str_from(self->mode->settings[i]), value = str_from(self->mode->settings[i + 1]);
        if (session_set(session, name, value, &err) != TRIB_OK)
            fail(self, "setting refused:", err.message);
    }
    if (statement_new(session, &self->statement, &err) == TRIB_OK) {
        run_file(self, text);
        statement_free(self->statement);
    } else {
        fail(self, "no statement:", err.message);
    }
    session_close(session);
}

static const Mode *find_mode(const char *name) {
    for (size_t m = 0; m < COUNT_OF(modes); m++) {
        if (strcmp(modes[m].name, name) == 0) return &modes[m];
    }
    return NULL;
}

int main(int argc, char **argv) {
    const char *config = "";
    const Mode *wanted[32];
    size_t nwanted = 0;
    Runner runner = {0};
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--verbose") == 0) {
            runner.verbose = true;
        } else if (strcmp(argv[at], "--config") == 0 && at + 1 < argc) {
            config = argv[++at];
        } else if (strcmp(argv[at], "--mode") == 0 && at + 1 < argc && find_mode(argv[at + 1]) &&
                   nwanted < 32) {
            wanted[nwanted++] = find_mode(argv[++at]);
        } else {
            fprintf(stderr,
                    "usage: runner [--config FILE] [--mode NAME]... [--verbose] FILE ...\n");
            return 2;
        }
    }
    if (nwanted == 0) {
        for (; nwanted < COUNT_OF(modes); nwanted++) wanted[nwanted] = &modes[nwanted];
    }
    Arena *arena = arena_new(NULL);
    for (; at < argc; at++) {
        Str text;
        Error err;
        if (os_read_file(arena, argv[at], MAX_TEXT, &text, &err) != TRIB_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 2;
        }
        runner.file = argv[at];
        for (size_t m = 0; m < nwanted; m++) {
            runner.mode = wanted[m];
            run_mode(&runner, text, config);
        }
    }
    arena_free(arena);
    printf("%llu passed, %llu failed\n", (unsigned long long)runner.passed,
           (unsigned long long)runner.failed);
    return runner.failed != 0;
}
