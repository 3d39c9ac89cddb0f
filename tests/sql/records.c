/*
 * records.c - the records of a .test file; runner.c says what they look like.
 *
 * The file is held as lines. A record's handler takes the lines that belong to it, so that errors in the
 * file are found where they stand. Memory is the run's arena: a process runs a file once and ends.
 */
#include "tests/sql/records.h"

#include <openssl/evp.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/number.h"
#include "engine/base/os.h"

#define MAX_TEXT  ((size_t)256 << 20)
#define MAX_WORDS 16

typedef struct Label {
    struct Label *next;
    Str name, digest;
} Label;

typedef struct Run {
    Arena *arena;
    const char *path;
    const Combination *combination;
    const RunOptions *options;
    RunCounts *counts;
    Session *session;
    Statement *statement;
    Str *lines;
    uint32_t nlines, at;
    uint32_t record; /* line of the record being run, 0-based */
    bool skip;       /* the next record is not for this combination */
    bool ended;
    Str warning; /* a text that the next record must warn with; len 0 = none */
    bool warned;
    TribValue params[MAX_WORDS];
    uint32_t nparams;
    Label *labels;
    Buf updated;     /* --update: the file's new text */
    uint64_t random; /* where the next failure is put */
} Run;

static void complain(Run *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(Run *self, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    self->counts->failed++;
    printf("%s:%u [%s] ", self->path, self->record + 1, self->combination->name);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* Out of memory or an unusable environment: nothing sensible can follow. */
static void give_up(Run *self, const Error *err) {
    complain(self, "cannot go on: %s: %s", err->sqlstate, err->message);
    self->ended = true;
}

/* ---------------------------------------------------------------- words and lines */

static Str word_take(Str *text) {
    *text = str_trim(*text);
    size_t n = 0;
    while (n < text->len && text->data[n] != ' ' && text->data[n] != '\t') n++;
    Str word = {text->data, n};
    *text = str_trim((Str){text->data + n, text->len - n});
    return word;
}

static bool is(Str word, const char *text) {
    return str_equal(word, str_from(text));
}

/* Lines up to a blank one, joined; *divided: they ended at ---- and values follow. */
static Str sql_take(Run *self, bool *divided) {
    Buf sql;
    buf_init(&sql, self->arena, MAX_TEXT);
    *divided = false;
    while (self->at < self->nlines && self->lines[self->at].len) {
        Str line = self->lines[self->at++];
        if (is(line, "----")) {
            *divided = true;
            break;
        }
        if (sql.len) buf_char(&sql, '\n');
        buf_str(&sql, line);
    }
    return buf_view(&sql);
}

typedef struct Lines {
    Str *line;
    uint32_t count;
} Lines;

static Lines lines_take(Run *self) {
    Lines lines = {.line = self->lines + self->at};
    while (self->at < self->nlines && self->lines[self->at].len) {
        self->at++;
        lines.count++;
    }
    return lines;
}

/* ---------------------------------------------------------------- running */

typedef struct Result {
    Str *values;
    size_t count, capacity;
    uint32_t columns;
    int64_t written;
    TribType *types; /* of the columns, as the execution described them */
} Result;

static Status value_add(Run *self, Result *out, Str value, Error *err) {
    if (out->count == out->capacity) {
        size_t capacity = out->capacity ? out->capacity * 2 : 256;
        TRY_ALLOC(out->values,
                  arena_resize(self->arena, out->values, out->capacity * sizeof(Str),
                               capacity * sizeof(Str)),
                  err);
        out->capacity = capacity;
    }
    out->values[out->count++] = value;
    return TRIB_OK;
}

/* NULL, (empty), bytes as hexadecimal digits, control characters as \xNN. */
static Status cell_add(Run *self, Result *out, const ColumnView *column, uint32_t position,
                       Error *err) {
    if (column_value_null(column, position)) return value_add(self, out, STR("NULL"), err);
    Buf raw, shown;
    buf_init(&raw, NULL, MAX_TEXT);
    buf_init(&shown, self->arena, MAX_TEXT);
    Status status = column_value_text(column, position, &raw, err);
    bool bytes = column->type.id == TRIB_TYPE_VARBINARY;
    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.data[i];
        if (bytes)
            buf_printf(&shown, "%02x", c);
        else if (c < 0x20)
            buf_printf(&shown, "\\x%02x", c);
        else
            buf_char(&shown, (char)c);
    }
    buf_clear(&raw);
    if (status == TRIB_OK) status = buf_status(&shown, err);
    if (status != TRIB_OK) return status;
    return value_add(self, out, shown.len ? buf_view(&shown) : STR("(empty)"), err);
}

static Status rows_take(Run *self, Result *out, Error *err) {
    for (;;) {
        const BatchView *batch;
        TRY(statement_fetch(self->statement, &batch, err));
        if (batch->rows == 0) return TRIB_OK;
        for (uint32_t r = 0; r < batch->rows; r++) {
            uint32_t position = batch->selection ? batch->selection[r] : r;
            for (uint32_t c = 0; c < batch->ncolumns; c++)
                TRY(cell_add(self, out, &batch->columns[c], position, err));
        }
    }
}

static Status sql_run(Run *self, Str sql, Result *out, Error *err) {
    *out = (Result){.written = -1};
    TRY(statement_prepare(self->statement, sql, err));
    for (uint32_t i = 0; i < self->nparams; i++)
        TRY(statement_bind(self->statement, i, &self->params[i], err));
    TRY(statement_execute(self->statement, err));
    out->written = statement_row_count(self->statement);
    out->columns = statement_column_count(self->statement);
    if (statement_kind(self->statement) != STATEMENT_QUERY) return TRIB_OK;
    return rows_take(self, out, err);
}

static Status sql_do(Run *self, Str sql, Result *out, Error *err) {
    error_clear(err);
    self->warned = false;
    Status status = sql_run(self, sql, out, err);
    uint32_t ncolumns = statement_column_count(self->statement);
    out->types = status == TRIB_OK ? ARENA_ARRAY(self->arena, TribType, ncolumns) : NULL;
    for (uint32_t c = 0; c < ncolumns && out->types; c++)
        out->types[c] = statement_column(self->statement, c)->type;
    if (status == TRIB_OK && !out->types) status = error_out_of_memory(err);
    statement_close(self->statement);
    statement_clear_bindings(self->statement);
    self->nparams = 0;
    return status;
}

static const char *error_text(Run *self, const Error *err) {
    char *text = arena_printf(self->arena, "%s: %s (%u:%u)%s%s%s%s", err->sqlstate, err->message,
                              err->line, err->column, err->detail[0] ? " " : "", err->detail,
                              err->hint[0] ? " " : "", err->hint);
    return text ? text : "out of memory";
}

static void on_warning(void *context, const Error *warning) {
    Run *self = context;
    const char *text = error_text(self, warning);
    if (self->warning.len && memmem(text, strlen(text), self->warning.data, self->warning.len))
        self->warned = true;
}

/* The record is over: was there the warning that it must give? */
static void settle(Run *self, bool good) {
    if (good && self->warning.len && !self->warned) {
        complain(self, "did not warn: " STR_FORMAT, STR_ARGS(self->warning));
        good = false;
    }
    self->warning = STR("");
    if (good) self->counts->passed++;
}

/* ---------------------------------------------------------------- statement */

/* "/regular expression/" or a part of the text. */
static bool matches(Run *self, Str pattern, const char *text) {
    if (pattern.len < 2 || pattern.data[0] != '/' || pattern.data[pattern.len - 1] != '/')
        return memmem(text, strlen(text), pattern.data, pattern.len) != NULL || pattern.len == 0;
    regex_t regex;
    char *source = str_dup(self->arena, (Str){pattern.data + 1, pattern.len - 2});
    if (!source || regcomp(&regex, source, REG_EXTENDED | REG_NOSUB) != 0) {
        complain(self, "is not a regular expression: " STR_FORMAT, STR_ARGS(pattern));
        return false;
    }
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static void statement_record(Run *self, Str rest) {
    bool divided;
    Result result;
    Error err;
    Str sql = sql_take(self, &divided), how = word_take(&rest);
    if (self->skip) return;
    Status status = sql_do(self, sql, &result, &err);
    bool good = false;
    if (is(how, "error")) {
        if (status == TRIB_OK)
            complain(self, "should have failed with: " STR_FORMAT, STR_ARGS(rest));
        else
            good = matches(self, rest, error_text(self, &err));
        if (status != TRIB_OK && !good)
            complain(self, "failed with another error: %s", error_text(self, &err));
    } else if (status != TRIB_OK) {
        complain(self, "failed: %s", error_text(self, &err));
    } else if (is(how, "count")) {
        int64_t wanted = -1;
        good = int64_parse(rest, &wanted) == NUMBER_OK && wanted == result.written;
        if (!good)
            complain(self, "wrote %lld rows, not " STR_FORMAT, (long long)result.written,
                     STR_ARGS(rest));
    } else if (is(how, "ok")) {
        good = true;
    } else {
        complain(self, "statement takes ok, error or count, not " STR_FORMAT, STR_ARGS(how));
    }
    settle(self, good);
}

/* ---------------------------------------------------------------- query */

static int compare_str(const void *a, const void *b) {
    return str_compare(*(const Str *)a, *(const Str *)b);
}

/* Values as lines: one per row, tabs between, or one per value; sorted as the record says. */
static Lines as_lines(Run *self, const Result *result, uint32_t columns, Str sort) {
    uint32_t width = is(sort, "valuesort") ? 1 : columns;
    Lines lines = {.count = (uint32_t)(result->count / width)};
    lines.line = ARENA_ARRAY(self->arena, Str, lines.count + 1);
    for (uint32_t i = 0; lines.line && i < lines.count; i++) {
        Buf line;
        buf_init(&line, self->arena, MAX_TEXT);
        for (uint32_t c = 0; c < width; c++) {
            if (c) buf_char(&line, '\t');
            buf_str(&line, result->values[(size_t)i * width + c]);
        }
        lines.line[i] = buf_view(&line);
    }
    if (lines.line && !is(sort, "nosort")) qsort(lines.line, lines.count, sizeof(Str), compare_str);
    return lines;
}

/* The expected lines as values: tab-separated rows, or one value per line. */
static Result expected(Run *self, Lines lines, uint32_t columns) {
    Result out = {.columns = columns};
    Error err;
    for (uint32_t i = 0; i < lines.count; i++) {
        Str rest = lines.line[i];
        for (const char *tab = "";;) {
            tab = columns > 1 ? memchr(rest.data, '\t', rest.len) : NULL;
            Str value = {rest.data, tab ? (size_t)(tab - rest.data) : rest.len};
            if (value_add(self, &out, value, &err) != TRIB_OK) break;
            if (!tab) break;
            rest = (Str){tab + 1, rest.len - value.len - 1};
        }
    }
    return out;
}

static Str digest_of(Run *self, Lines lines) {
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_DigestInit_ex(md, EVP_md5(), NULL);
    for (uint32_t i = 0; i < lines.count; i++) {
        EVP_DigestUpdate(md, lines.line[i].data, lines.line[i].len);
        EVP_DigestUpdate(md, "\n", 1);
    }
    EVP_DigestFinal_ex(md, sum, &size);
    EVP_MD_CTX_free(md);
    Buf text;
    buf_init(&text, self->arena, MAX_TEXT);
    for (unsigned int i = 0; i < size; i++) buf_printf(&text, "%02x", sum[i]);
    return buf_view(&text);
}

static void show(const char *title, Lines lines) {
    printf("  %s:\n", title);
    for (uint32_t i = 0; i < lines.count && i < 40; i++)
        printf("    " STR_FORMAT "\n", STR_ARGS(lines.line[i]));
    if (lines.count > 40) printf("    ... %u lines in all\n", lines.count);
}

static bool same_lines(Lines a, Lines b) {
    if (a.count != b.count) return false;
    for (uint32_t i = 0; i < a.count; i++) {
        if (!str_equal(a.line[i], b.line[i])) return false;
    }
    return true;
}

/* "30 values hashing to 3c13dee48d9356ae19af2515e05e6b54" */
static bool hash_line(Lines lines, Str *count, Str *digest) {
    if (lines.count != 1) return false;
    Str rest = lines.line[0];
    *count = word_take(&rest);
    if (!is(word_take(&rest), "values") || !is(word_take(&rest), "hashing") ||
        !is(word_take(&rest), "to"))
        return false;
    *digest = rest;
    return true;
}

static bool same_hash(Run *self, const Result *got, uint32_t columns, Str sort, Str count,
                      Str digest) {
    int64_t wanted = -1;
    Str found = digest_of(self, as_lines(self, got, columns, sort));
    if (int64_parse(count, &wanted) == NUMBER_OK && (size_t)wanted == got->count &&
        str_equal(found, digest))
        return true;
    complain(self, "wrong rows: %zu values hashing to " STR_FORMAT, got->count, STR_ARGS(found));
    return false;
}

/* Records of one label must have the same rows. */
static bool same_label(Run *self, Str name, Str digest) {
    for (Label *label = self->labels; label; label = label->next) {
        if (!str_equal(label->name, name)) continue;
        if (str_equal(label->digest, digest)) return true;
        complain(self, "has other rows than an earlier record labelled " STR_FORMAT,
                 STR_ARGS(name));
        return false;
    }
    Label *label = ARENA_NEW(self->arena, Label);
    if (label) {
        *label = (Label){.next = self->labels, .name = name, .digest = digest};
        self->labels = label;
    }
    return true;
}

static bool same_rows(Run *self, const Result *got, Lines wanted, uint32_t columns, Str sort) {
    Str count, digest;
    if (hash_line(wanted, &count, &digest))
        return same_hash(self, got, columns, sort, count, digest);
    Result want = expected(self, wanted, columns);
    Lines a = as_lines(self, got, columns, sort), b = as_lines(self, &want, columns, sort);
    if (got->count == want.count && same_lines(a, b)) return true;
    complain(self, "wrong rows");
    show("expected", b);
    show("got", a);
    return false;
}

/* I integers; D decimals; R floating point and decimals; B booleans; T all else; ? anything. */
static bool type_fits(char letter, TribType type) {
    switch (type.id) {
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT: return letter == 'I' || letter == '?';
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return letter == 'R' || letter == '?';
    case TRIB_TYPE_DECIMAL: return letter == 'D' || letter == 'R' || letter == '?';
    case TRIB_TYPE_BOOLEAN: return letter == 'B' || letter == 'T' || letter == '?';
    default: return letter == 'T' || letter == '?';
    }
}

static bool types_fit(Run *self, const TribType *types, Str letters) {
    if (letters.len != statement_column_count(self->statement)) {
        complain(self, "has %u columns, not %zu", statement_column_count(self->statement),
                 letters.len);
        return false;
    }
    for (uint32_t c = 0; c < letters.len; c++) {
        char name[256];
        if (type_fits(letters.data[c], types[c])) continue;
        (void)engine_type_name(types[c], name, sizeof name);
        complain(self, "column %u is of type %s, which is not %c", c + 1, name, letters.data[c]);
        return false;
    }
    return true;
}

/* A failed query may say that memory, a thread or the disk of its spilled rows is at an end. */
static bool fault_told(const Error *err) {
    return str_equal(str_from(err->sqlstate), STR("HY001")) || strstr(err->message, "spill file");
}

/* The query again, with the nth allocation failing; how many there were if nth is more than that. */
static bool fault_run(Run *self, Str sql, Str digest, uint32_t columns, Str sort, uint32_t nparams,
                      uint64_t nth, uint64_t *left) {
    Result got;
    Error err;
    self->nparams = nparams;
    heap_fail_at(nth);
    Status status = sql_do(self, sql, &got, &err);
    *left = heap_fault_left();
    heap_fail_at(0);
    if (status != TRIB_OK && nth && *left == 0 && fault_told(&err)) return true;
    if (status != TRIB_OK)
        complain(self, "with failure %llu: %s", (unsigned long long)nth, error_text(self, &err));
    else if (!str_equal(digest, digest_of(self, as_lines(self, &got, columns, sort))))
        complain(self, "with failure %llu: wrong rows", (unsigned long long)nth);
    else
        return true;
    return false;
}

/* One failure after another, at places spread over the query; after each it works as before. */
static bool faults_run(Run *self, Str sql, const Result *got, uint32_t columns, Str sort,
                       uint32_t nparams) {
    const uint64_t beyond = UINT64_C(1) << 60;
    Str digest = digest_of(self, as_lines(self, got, columns, sort));
    uint64_t left, total;
    if (!fault_run(self, sql, digest, columns, sort, nparams, beyond, &left)) return false;
    total = beyond - left;
    for (uint32_t i = 0; i < self->options->faults; i++) {
        uint64_t from = total * i / self->options->faults,
                 to = total * (i + 1) / self->options->faults;
        self->random = self->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        uint64_t nth = from + 1 + (to > from ? (self->random >> 33) % (to - from) : 0);
        if (!fault_run(self, sql, digest, columns, sort, nparams, nth, &left)) return false;
    }
    return fault_run(self, sql, digest, columns, sort, nparams, 0, &left);
}

static void query_record(Run *self, Str rest) {
    bool divided;
    Result got;
    Error err;
    Lines wanted = {0};
    uint32_t nparams = self->nparams;
    Str sql = sql_take(self, &divided);
    if (divided) wanted = lines_take(self);
    if (self->skip) return;
    Str letters = word_take(&rest), sort = word_take(&rest), label = word_take(&rest);
    if (sort.len && !is(sort, "nosort") && !is(sort, "rowsort") && !is(sort, "valuesort")) {
        complain(self, "query takes nosort, rowsort or valuesort, not " STR_FORMAT, STR_ARGS(sort));
        return;
    }
    if (!sort.len) sort = STR("nosort");
    if (letters.len == 0) {
        complain(self, "query needs a letter per column");
    } else if (sql_do(self, sql, &got, &err) != TRIB_OK) {
        complain(self, "failed: %s", error_text(self, &err));
    } else if (types_fit(self, got.types, letters)) {
        uint32_t columns = (uint32_t)letters.len;
        bool good = (!divided && label.len) || same_rows(self, &got, wanted, columns, sort);
        if (good && label.len)
            good = same_label(self, label, digest_of(self, as_lines(self, &got, columns, sort)));
        if (good && self->options->faults && !self->warning.len)
            good = faults_run(self, sql, &got, columns, sort, nparams);
        settle(self, good);
    }
}

/* ---------------------------------------------------------------- types, plan */

/* Names and types of the result's columns, without running the statement. */
static void types_record(Run *self, Str rest) {
    bool divided;
    Error err;
    Str sql = sql_take(self, &divided);
    Lines wanted = lines_take(self);
    if (self->skip) return;
    if (statement_prepare(self->statement, sql, &err) != TRIB_OK) {
        complain(self, "failed: %s", error_text(self, &err));
        return;
    }
    Lines got = {.count = statement_column_count(self->statement)};
    got.line = ARENA_ARRAY(self->arena, Str, got.count);
    for (uint32_t c = 0; got.line && c < got.count; c++) {
        char type[1024];
        const ColumnInfo *column = statement_column(self->statement, c);
        (void)engine_type_name(column->type, type, sizeof type);
        char *line = arena_printf(self->arena, STR_FORMAT " %s", STR_ARGS(column->name), type);
        got.line[c] = str_from(line ? line : "");
    }
    bool good = same_lines(got, wanted);
    if (!good) {
        complain(self, "wrong names or types");
        show("expected", wanted);
        show("got", got);
    }
    settle(self, good);
}

/* What may differ between runs and machines in a plan. */
static void plan_line(Run *self, Str line, Buf *out) {
    while (line.len && line.data[line.len - 1] == ' ') line.len--;
    buf_str(out, line.len ? line : STR("."));
}

static Lines plan_lines(Run *self, const Result *result) {
    Lines lines = {.line = ARENA_ARRAY(self->arena, Str, result->count)};
    for (size_t i = 0; lines.line && i < result->count; i++) {
        Buf line;
        buf_init(&line, self->arena, MAX_TEXT);
        plan_line(self, result->values[i], &line);
        lines.line[lines.count++] = buf_view(&line);
    }
    return lines;
}

static void plan_record(Run *self, Str rest) {
    bool divided;
    Result got;
    Error err;
    uint32_t begins = self->at;
    Str sql = sql_take(self, &divided);
    uint32_t values = self->at;
    Lines wanted = lines_take(self);
    if (self->skip) return;
    if (sql_do(self, sql, &got, &err) != TRIB_OK) {
        complain(self, "failed: %s", error_text(self, &err));
        return;
    }
    Lines lines = plan_lines(self, &got);
    if (self->options->update) {
        for (uint32_t i = begins; i < values && !is(self->lines[i], "----"); i++)
            buf_printf(&self->updated, STR_FORMAT "\n", STR_ARGS(self->lines[i]));
        buf_text(&self->updated, "----\n");
        for (uint32_t i = 0; i < lines.count; i++)
            buf_printf(&self->updated, STR_FORMAT "\n", STR_ARGS(lines.line[i]));
        settle(self, true);
        return;
    }
    bool good = same_lines(lines, wanted);
    if (!good) {
        complain(self, "another plan (runner --update rewrites the file: read the difference)");
        show("expected", wanted);
        show("got", lines);
    }
    settle(self, good);
}

/* ---------------------------------------------------------------- sessions */

static void session_end(Run *self) {
    if (self->statement) statement_free(self->statement);
    if (self->session) session_close(self->session);
    self->statement = NULL;
    self->session = NULL;
}

static Status session_begin(Run *self, Str config_text, Error *err) {
    const Combination *combination = self->combination;
    SessionOption options[] = {
        {STR("push_down"), str_from(combination->push_down)},
        {STR("force_spill"), combination->spilled ? STR("true") : STR("false")},
        {STR("threads"), str_from(combination->threads)},
        {STR("read_ahead"), combination->buffered ? STR("spill") : STR("memory")},
        {STR("disabled_rules"),
         str_from(combination->disabled_rules ? combination->disabled_rules : "")},
        {STR("metastore"), STR(":memory:")},
    };
    SessionParams params = {.config = str_from(config_text.len ? "" : self->options->config),
                            .config_text = config_text,
                            .user = STR("tester"),
                            .password = STR(""),
                            .options = options,
                            .noptions = COUNT_OF(options),
                            .deadline_ns = INT64_MAX};
    session_end(self);
    TRY(session_open(&params, NULL, NULL, &self->session, err));
    TRY(statement_new(self->session, &self->statement, err));
    statement_set_warning_sink(self->statement, on_warning, self);
    return TRIB_OK;
}

/* A configuration of the file's own: the lines up to a blank one. */
static void config_record(Run *self, Str rest) {
    bool divided;
    Error err;
    Str text = sql_take(self, &divided);
    if (session_begin(self, text, &err) != TRIB_OK) {
        if (!rest.len || !matches(self, rest, error_text(self, &err))) {
            give_up(self, &err);
            return;
        }
        self->counts->passed++;
        if (session_begin(self, STR(""), &err) != TRIB_OK) give_up(self, &err);
    } else if (rest.len) {
        complain(self, "the configuration should have been refused");
    }
}

static void set_record(Run *self, Str rest) {
    Error err;
    Str name = word_take(&rest);
    if (session_set(self->session, name, rest, &err) != TRIB_OK)
        complain(self, "setting refused: %s", err.message);
}

/* ---------------------------------------------------------------- conditions */

static bool condition(const Run *self, Str name) {
    const Combination *combination = self->combination;
    if (is(name, "spilled")) return combination->spilled;
    if (is(name, "buffered")) return combination->buffered;
    if (is(name, "without")) return combination->disabled_rules != NULL;
    if (name.len > 7 && memcmp(name.data, "threads", 7) == 0)
        return str_equal((Str){name.data + 7, name.len - 7}, str_from(combination->threads));
    return is(name, combination->push_down) || is(name, combination->name);
}

static void onlyif_line(Run *self, Str rest) {
    if (!condition(self, rest)) self->skip = true;
}

static void skipif_line(Run *self, Str rest) {
    if (condition(self, rest)) self->skip = true;
}

static void require_line(Run *self, Str rest) {
    if (!self->options->without || !is(rest, self->options->without)) return;
    text_format(self->counts->skipped, sizeof self->counts->skipped, "needs " STR_FORMAT,
                STR_ARGS(rest));
    self->ended = true;
}

static void halt_line(Run *self, Str rest) {
    self->ended = true;
}

static void warn_line(Run *self, Str rest) {
    self->warning = rest;
}

/* param null | integer N | double X | varchar TEXT: values of the next record's markers, in order. */
static void param_line(Run *self, Str rest) {
    if (self->nparams == MAX_WORDS) {
        complain(self, "has too many parameters");
        return;
    }
    Str kind = word_take(&rest);
    TribValue *value = &self->params[self->nparams++];
    *value = (TribValue){.type = {.id = TRIB_TYPE_VARCHAR}};
    value->as.text.data = rest.data;
    value->as.text.length = rest.len;
    if (is(kind, "null")) {
        value->is_null = true;
    } else if (is(kind, "integer")) {
        value->type.id = TRIB_TYPE_BIGINT;
        if (int64_parse(rest, &value->as.integer) != NUMBER_OK)
            complain(self, "param integer needs a number");
    } else if (is(kind, "double")) {
        value->type.id = TRIB_TYPE_DOUBLE;
        if (double_parse(rest, &value->as.real) != NUMBER_OK)
            complain(self, "param double needs a number");
    } else if (!is(kind, "varchar")) {
        complain(self, "param takes null, integer, double or varchar");
    }
}

/* ---------------------------------------------------------------- files */

typedef struct RecordKind {
    const char *word;
    void (*run)(Run *self, Str rest);
    bool record; /* what skipif, warn and param are about ends here */
} RecordKind;

static const RecordKind kinds[] = {
    {"statement", statement_record, true},
    {"query", query_record, true},
    {"types", types_record, true},
    {"plan", plan_record, true},
    {"config", config_record, false},
    {"set", set_record, false},
    {"onlyif", onlyif_line, false},
    {"skipif", skipif_line, false},
    {"require", require_line, false},
    {"halt", halt_line, false},
    {"warn", warn_line, false},
    {"param", param_line, false},
};

static void record_run(Run *self, Str line) {
    Str rest = line, word = word_take(&rest);
    if (self->options->verbose)
        printf("%s:%u " STR_FORMAT "\n", self->path, self->record + 1, STR_ARGS(line));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!is(word, kinds[i].word)) continue;
        kinds[i].run(self, rest);
        if (kinds[i].record) {
            self->skip = false;
            self->nparams = 0;
            self->warning = STR("");
        }
        return;
    }
    complain(self, "is not a record: " STR_FORMAT, STR_ARGS(line));
    (void)lines_take(self);
}

/* --update: what was read and not written anew is copied. */
static void copy_lines(Run *self, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++)
        buf_printf(&self->updated, STR_FORMAT "\n", STR_ARGS(self->lines[i]));
}

static void records_run(Run *self) {
    while (self->at < self->nlines && !self->ended) {
        Str line = self->lines[self->at];
        self->record = self->at++;
        uint32_t body = self->at;
        buf_printf(&self->updated, STR_FORMAT "\n", STR_ARGS(line));
        size_t before = self->updated.len;
        if (line.len == 0 || line.data[0] == '#') continue;
        record_run(self, line);
        if (self->updated.len == before) copy_lines(self, body, self->at);
    }
    copy_lines(self, self->at, self->nlines);
}

static Status file_read(Run *self, Error *err) {
    Str text;
    TRY(os_read_file(self->arena, self->path, MAX_TEXT, &text, err));
    uint32_t capacity = 1;
    for (size_t i = 0; i < text.len; i++) capacity += text.data[i] == '\n';
    TRY_ALLOC(self->lines, ARENA_ARRAY(self->arena, Str, capacity), err);
    while (text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        Str line = {text.data, end ? (size_t)(end - text.data) : text.len};
        self->lines[self->nlines++] = line;
        size_t step = line.len + (end ? 1 : 0);
        text = (Str){text.data + step, text.len - step};
    }
    return TRIB_OK;
}

static void file_write(Run *self) {
    FILE *file = fopen(self->path, "w");
    if (!file || fwrite(self->updated.data, 1, self->updated.len, file) != self->updated.len)
        complain(self, "%s cannot be written", self->path);
    if (file && fclose(file) != 0) complain(self, "%s cannot be written", self->path);
}

void file_run(const char *path, const Combination *combination, const RunOptions *options,
              RunCounts *counts) {
    Run self = {.path = path,
                .combination = combination,
                .options = options,
                .counts = counts,
                .arena = arena_new(NULL)};
    Error err;
    *counts = (RunCounts){0};
    if (!self.arena) return;
    buf_init(&self.updated, NULL, MAX_TEXT);
    Status status = file_read(&self, &err);
    if (status == TRIB_OK) status = session_begin(&self, STR(""), &err);
    if (status == TRIB_OK)
        records_run(&self);
    else
        give_up(&self, &err);
    session_end(&self);
    if (options->update && status == TRIB_OK && counts->failed == 0) file_write(&self);
    buf_clear(&self.updated);
    arena_free(self.arena);
}
