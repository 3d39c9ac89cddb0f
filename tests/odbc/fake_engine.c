/*
 * fake_engine.c - an engine of canned results behind tributary.h, so that the driver is tested by
 * itself: every type, every column form, errors and waits at will.
 *
 * Statements:
 *   types              one column per type; rows: usual, extreme, zero, NULL
 *   numbers N [B]      N rows in batches of B (2048): i, b, d, n decimal(10,2), s, day, at
 *   forms N            N rows: constant, dictionary, dictionary with row validity, behind a selection
 *   text T             one row: T as varchar
 *   repeat N T         one row: T, N times
 *   echo ? ? ...       one row: each parameter as type=value
 *   write N            a row count of N times the sets of parameters; `write N ?` takes one
 *   slow, slowrows     executing or fetching ends only by cancel or time-out
 *   delay N            done after N polls
 *   fail STATE, failexec STATE, failfetch N
 *   warn               a warning at execution
 *   bench N            the first batch of `numbers`, N times, at no cost
 *   command            no rows, no count
 */
#include "engine/tributary.h"

#include <stdio.h>
#include <unistd.h>

#include "engine/base/bitmap.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

#define BATCH       2048u
#define MAX_COLUMNS 32

struct Session {
    Arena *arena;
    char catalog[64], user[64];
    bool autocommit;
    int64_t string_length;
};

typedef enum FakeKind {
    FAKE_NONE,
    FAKE_TYPES,
    FAKE_NUMBERS,
    FAKE_FORMS,
    FAKE_TEXT,
    FAKE_ECHO,
    FAKE_WRITE,
    FAKE_SLOW,
    FAKE_SLOW_ROWS,
    FAKE_DELAY,
    FAKE_FAIL_EXEC,
    FAKE_FAIL_FETCH,
    FAKE_WARN,
    FAKE_BENCH,
    FAKE_COMMAND
} FakeKind;

struct Statement {
    Session *session;
    CancelToken *cancel;
    int64_t timeout;
    Arena *arena, *bound, *batch_arena;
    FakeKind kind;
    int64_t n, m;
    Str text;
    uint32_t nparams, ncolumns;
    ColumnInfo columns[MAX_COLUMNS];
    ParameterInfo params[MAX_COLUMNS];
    TribValue values[MAX_COLUMNS];
    bool open;
    int64_t row, polls;
    BatchView view;
    ColumnView cols[MAX_COLUMNS];
    Status pending;
    Error error;
    enum { PENDING_NONE, PENDING_PREPARE, PENDING_EXECUTE, PENDING_FETCH } request;
    WarningSink sink;
    void *sink_context;
};

/* ---- sessions */

Status session_open(const SessionParams *params, WarningSink sink, void *context, Session **out,
                    Error *err) {
    Arena *arena = arena_new(NULL);
    Session *self;
    TRY_ALLOC(self, ARENA_NEW(arena, Session), err);
    self->arena = arena;
    self->autocommit = true;
    self->string_length = 4000;
    memcpy(self->catalog, "memory", 7);
    if (str_equal(params->user, STR("browser"))) self->catalog[0] = 0; /* nothing chosen yet */
    snprintf(self->user, sizeof self->user, STR_FORMAT, STR_ARGS(params->user));
    for (uint32_t i = 0; i < params->noptions; i++) {
        Str name = params->options[i].name, value = params->options[i].value;
        if (str_equal_fold(name, STR("catalog")))
            snprintf(self->catalog, sizeof self->catalog, STR_FORMAT, STR_ARGS(value));
        if (str_equal_fold(name, STR("string_column_length")))
            (void)int64_parse(value, &self->string_length);
        if (str_equal_fold(name, STR("time_zone")) && str_equal(value, STR("nowhere"))) {
            arena_free(arena);
            return error_set(err, ERR_INVALID_ARGUMENT, "time zone 'nowhere' is not known");
        }
    }
    *out = self;
    return TRIB_OK;
}

void session_close(Session *self) {
    arena_free(self->arena);
}

Status session_set(Session *self, Str name, Str value, Error *err) {
    if (!str_equal_fold(name, STR("catalog")))
        return error_set(err, ERR_INVALID_ARGUMENT, "unknown setting");
    snprintf(self->catalog, sizeof self->catalog, STR_FORMAT, STR_ARGS(value));
    return TRIB_OK;
}

Status session_get(Session *self, SettingId id, SettingValue *out, Error *err) {
    *out = (SettingValue){.text = STR("")};
    if (id == SETTING_STRING_COLUMN_LENGTH) out->integer = self->string_length;
    if (id == SETTING_COMPLEX_TYPE_COLUMN_LENGTH) out->integer = 65535;
    if (id == SETTING_MAX_VALUE_SIZE) out->integer = 64 << 20;
    if (id == SETTING_WIDE_TEXT) out->boolean = true;
    return TRIB_OK;
}

Str session_catalog(Session *self) {
    return str_from(self->catalog);
}
Str session_schema(Session *self) {
    return STR("main");
}
Str session_user(Session *self) {
    return str_from(self->user);
}
Status session_reset(Session *self, Error *err) {
    memcpy(self->catalog, "memory", 7);
    return TRIB_OK;
}
Status session_end_transaction(Session *self, bool commit, Error *err) {
    return TRIB_OK;
}
void session_refuse_writes(Session *self, bool on) {
    (void)self;
    (void)on;
}
bool session_autocommit(Session *self) {
    return self->autocommit;
}
bool session_in_transaction(Session *self) {
    (void)self;
    return false;
}
Status session_set_isolation(Session *self, uint32_t isolation, Error *err) {
    (void)self;
    (void)isolation;
    (void)err;
    return TRIB_OK;
}
Status session_transaction_facts(Session *self, Str catalog, TransactionFacts *out, Error *err) {
    (void)self;
    (void)catalog;
    (void)err;
    *out = (TransactionFacts){.writable = true,
                              .capable = true,
                              .isolations = TRIB_READ_COMMITTED | TRIB_SERIALIZABLE,
                              .default_isolation = TRIB_READ_COMMITTED};
    return TRIB_OK;
}
Status session_set_autocommit(Session *self, bool on, Error *err) {
    self->autocommit = on;
    return TRIB_OK;
}
bool session_alive(Session *self) {
    return true;
}
uint32_t session_catalogs(Session *self, const CatalogSummary **out) {
    static const CatalogSummary catalogs[] = {{"shop", "sqlite", NULL},
                                              {"memory", "memory", "tables in RAM"}};
    *out = catalogs;
    return 2;
}
Status session_check_catalog(Session *self, Str catalog, char *text, size_t size, Error *err) {
    return TRIB_OK;
}

/* ---- statements */

Status statement_new(Session *session, Statement **out, Error *err) {
    Statement *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->session = session;
    self->arena = arena_new(NULL);
    self->bound = arena_new(NULL);
    self->batch_arena = arena_new(NULL);
    self->cancel = cancel_new();
    *out = self;
    return TRIB_OK;
}

void statement_free(Statement *self) {
    arena_free(self->arena);
    arena_free(self->bound);
    arena_free(self->batch_arena);
    cancel_release(self->cancel);
    heap_free(self);
}

void statement_cancel(Statement *self) {
    cancel_set(self->cancel, CANCEL_REQUESTED);
}
void statement_watch_cancel(Statement *self, const _Atomic bool *wanted) {
    (void)self;
    (void)wanted;
}
void statement_set_timeout(Statement *self, int64_t seconds) {
    self->timeout = seconds;
}
void statement_set_warning_sink(Statement *self, WarningSink sink, void *context) {
    self->sink = sink;
    self->sink_context = context;
}

static void add_column(Statement *self, const char *name, TribType type) {
    self->columns[self->ncolumns++] = (ColumnInfo){.name = str_from(name),
                                                   .type = type,
                                                   .nullable = true,
                                                   .base_name = STR(""),
                                                   .table = STR(""),
                                                   .schema = STR(""),
                                                   .catalog = STR(""),
                                                   .case_sensitive = true};
}

#define TYPE(symbol, ...) ((TribType){.id = TRIB_TYPE_##symbol, __VA_ARGS__})

static const TribTypeFields array_fields = {1, {{NULL, {.id = TRIB_TYPE_INTEGER}}}};

static void types_columns(Statement *self) {
    add_column(self, "c_boolean", TYPE(BOOLEAN, .length = 0));
    add_column(self, "c_tinyint", TYPE(TINYINT, .length = 0));
    add_column(self, "c_smallint", TYPE(SMALLINT, .length = 0));
    add_column(self, "c_integer", TYPE(INTEGER, .length = 0));
    add_column(self, "c_bigint", TYPE(BIGINT, .length = 0));
    add_column(self, "c_real", TYPE(REAL, .length = 0));
    add_column(self, "c_double", TYPE(DOUBLE, .length = 0));
    add_column(self, "c_decimal", TYPE(DECIMAL, .precision = 10, .scale = 2));
    add_column(self, "c_decimal38", TYPE(DECIMAL, .precision = 38, .scale = 10));
    add_column(self, "c_varchar", TYPE(VARCHAR, .length = 50));
    add_column(self, "c_char", TYPE(CHAR, .length = 5));
    add_column(self, "c_text", TYPE(VARCHAR, .length = 0));
    add_column(self, "c_varbinary", TYPE(VARBINARY, .length = 0));
    add_column(self, "c_date", TYPE(DATE, .length = 0));
    add_column(self, "c_time", TYPE(TIME, .precision = 3));
    add_column(self, "c_timestamp", TYPE(TIMESTAMP, .precision = 6));
    add_column(self, "c_timestamp9", TYPE(TIMESTAMP, .precision = 9));
    add_column(self, "c_timestamptz", TYPE(TIMESTAMP_TZ, .precision = 3));
    add_column(self, "c_timetz", TYPE(TIME_TZ, .precision = 0));
    add_column(self, "c_ym", TYPE(INTERVAL_YM, .length = 0));
    add_column(self, "c_ds", TYPE(INTERVAL_DS, .length = 0));
    add_column(self, "c_uuid", TYPE(UUID, .length = 0));
    add_column(self, "c_json", TYPE(JSON, .length = 0));
    add_column(self, "c_array", TYPE(ARRAY, .fields = &array_fields));
    add_column(self, "c_null", TYPE(UNKNOWN, .length = 0));
}

static void numbers_columns(Statement *self) {
    add_column(self, "i", TYPE(INTEGER, .length = 0));
    add_column(self, "b", TYPE(BIGINT, .length = 0));
    add_column(self, "d", TYPE(DOUBLE, .length = 0));
    add_column(self, "n", TYPE(DECIMAL, .precision = 10, .scale = 2));
    add_column(self, "s", TYPE(VARCHAR, .length = 40));
    add_column(self, "day", TYPE(DATE, .length = 0));
    add_column(self, "at", TYPE(TIMESTAMP, .precision = 3));
}

static Str next_word(Str *text) {
    Str s = str_trim(*text);
    size_t n = 0;
    while (n < s.len && s.data[n] != ' ') n++;
    *text = (Str){s.data + n, s.len - n};
    return (Str){s.data, n};
}

static Status classify(Statement *self, Str sql, Error *err) {
    static const struct {
        const char *word;
        FakeKind kind;
    } words[] = {
        {"types", FAKE_TYPES}, {"numbers", FAKE_NUMBERS},    {"forms", FAKE_FORMS},
        {"text", FAKE_TEXT},   {"repeat", FAKE_TEXT},        {"echo", FAKE_ECHO},
        {"write", FAKE_WRITE}, {"slow", FAKE_SLOW},          {"slowrows", FAKE_SLOW_ROWS},
        {"delay", FAKE_DELAY}, {"failexec", FAKE_FAIL_EXEC}, {"failfetch", FAKE_FAIL_FETCH},
        {"warn", FAKE_WARN},   {"bench", FAKE_BENCH},        {"command", FAKE_COMMAND}};
    Str rest = sql, word = next_word(&rest);
    for (size_t i = 0; i < sql.len; i++) self->nparams += sql.data[i] == '?';
    if (self->nparams > MAX_COLUMNS) return error_set(err, ERR_LIMIT, "too many parameters");
    for (uint32_t i = 0; i < self->nparams; i++)
        self->params[i] = (ParameterInfo){.type = TYPE(VARCHAR, .length = 4000), .nullable = true};
    self->kind = FAKE_NONE;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (str_equal(word, str_from(words[i].word))) self->kind = words[i].kind;
    if (str_equal(word, STR("fail"))) {
        (void)error_set(err, ERR_TABLE_NOT_FOUND, "table 'nothing' does not exist");
        memcpy(err->sqlstate, str_trim(rest).data, 5);
        err->native = 1146;
        return error_source(err, "shop");
    }
    if (self->kind == FAKE_NONE)
        return error_set_at(err, ERR_SYNTAX, 1, 1, "'" STR_FORMAT "' is not expected here",
                            STR_ARGS(word));
    self->n = self->m = 0;
    Str tail = rest, first = next_word(&tail);
    (void)int64_parse(first, &self->n);
    Str second = tail;
    (void)int64_parse(next_word(&second), &self->m);
    self->text = rest.len ? (Str){rest.data + 1, rest.len - 1} : STR("");
    if (str_equal(word, STR("repeat"))) {
        Buf b;
        buf_init(&b, self->arena, (size_t)1 << 31);
        for (int64_t i = 0; i < self->n; i++) buf_str(&b, str_trim(tail));
        TRY(buf_status(&b, err));
        self->text = buf_view(&b);
    }
    return TRIB_OK;
}

static void describe(Statement *self) {
    static const char *const names[] = {"p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"};
    switch (self->kind) {
    case FAKE_TYPES: types_columns(self); break;
    case FAKE_BENCH:
    case FAKE_NUMBERS: numbers_columns(self); break;
    case FAKE_FORMS:
        add_column(self, "constant", TYPE(INTEGER, .length = 0));
        add_column(self, "dictionary", TYPE(VARCHAR, .length = 10));
        add_column(self, "holes", TYPE(VARCHAR, .length = 10));
        break;
    case FAKE_TEXT: add_column(self, "text", TYPE(VARCHAR, .length = 0)); break;
    case FAKE_ECHO:
        for (uint32_t i = 0; i < self->nparams && i < 8; i++)
            add_column(self, names[i], TYPE(VARCHAR, .length = 0));
        break;
    case FAKE_SLOW_ROWS:
    case FAKE_DELAY:
    case FAKE_WARN:
    case FAKE_FAIL_FETCH: add_column(self, "i", TYPE(INTEGER, .length = 0)); break;
    default: break;
    }
}

Status statement_prepare_start(Statement *self, Str sql, Error *err) {
    arena_reset(self->arena);
    statement_clear_bindings(self);
    self->open = false;
    self->nparams = self->ncolumns = 0;
    char *copy;
    TRY_ALLOC(copy, str_dup(self->arena, sql), err);
    self->request = PENDING_PREPARE;
    self->polls = 0;
    self->pending = classify(self, (Str){copy, sql.len}, &self->error);
    if (self->pending == TRIB_OK)
        describe(self);
    else
        self->kind = FAKE_NONE;
    return TRIB_OK;
}

Status statement_direct_start(Statement *self, Str sql, Error *err) {
    return statement_prepare_start(self, sql, err);
}

Status statement_prepare(Statement *self, Str sql, Error *err) {
    TRY(statement_prepare_start(self, sql, err));
    bool done;
    return statement_wait(self, -1, &done, err);
}

StatementKind statement_kind(const Statement *self) {
    if (self->kind == FAKE_NONE) return STATEMENT_NONE;
    if (self->kind == FAKE_WRITE) return STATEMENT_WRITE;
    return self->ncolumns ? STATEMENT_QUERY : STATEMENT_COMMAND;
}
uint32_t statement_column_count(const Statement *self) {
    return self->ncolumns;
}
const ColumnInfo *statement_column(const Statement *self, uint32_t index) {
    return &self->columns[index];
}
uint32_t statement_parameter_count(const Statement *self) {
    return self->nparams;
}
const ParameterInfo *statement_parameter(const Statement *self, uint32_t index) {
    return &self->params[index];
}

Status statement_bind(Statement *self, uint32_t index, const TribValue *value, Error *err) {
    self->values[index] = *value;
    if (!value->is_null &&
        (value->type.id == TRIB_TYPE_VARCHAR || value->type.id == TRIB_TYPE_VARBINARY ||
         value->type.id == TRIB_TYPE_UUID)) {
        char *copy;
        TRY_ALLOC(copy, arena_copy(self->bound, value->as.text.data, value->as.text.length), err);
        self->values[index].as.text.data = copy;
    }
    return TRIB_OK;
}
void statement_clear_bindings(Statement *self) {
    arena_reset(self->bound);
    memset(self->values, 0, sizeof self->values);
}

const char *statement_function(const Statement *self) {
    return statement_kind(self) == STATEMENT_QUERY ? "SELECT CURSOR" : "";
}
uint32_t statement_failed_parameter(const Statement *self) {
    (void)self;
    return 0;
}
bool statement_takes_sets(const Statement *self) {
    (void)self;
    return false;
}
Status statement_bind_sets(Statement *self, const ParameterSets *sets, Error *err) {
    (void)self;
    (void)sets;
    return error_set(err, ERR_SEQUENCE, "one set of parameters at a time");
}

Status statement_execute_start(Statement *self, Error *err) {
    self->request = PENDING_EXECUTE;
    self->open = true;
    self->row = 0;
    self->polls = 0;
    self->pending = TRIB_OK;
    cancel_reset(self->cancel);
    cancel_set_deadline(self->cancel,
                        self->timeout ? os_now_ns() + self->timeout * 1000000000 : INT64_MAX);
    if (self->kind == FAKE_FAIL_EXEC)
        self->pending = error_set(&self->error, ERR_DIVISION_BY_ZERO, "division by zero");
    if (self->kind == FAKE_WARN && self->sink) {
        Error warning;
        (void)error_set(&warning, ERR_GENERAL_WARNING, "the source shop is slow today");
        (void)error_source(&warning, "shop");
        self->sink(self->sink_context, &warning);
    }
    return TRIB_OK;
}

Status statement_execute(Statement *self, Error *err) {
    bool done;
    TRY(statement_execute_start(self, err));
    return statement_wait(self, -1, &done, err);
}
int64_t statement_row_count(const Statement *self) {
    return self->kind == FAKE_WRITE ? self->n : -1;
}
void statement_close(Statement *self) {
    self->open = false;
}

/* ---- batches */

static ColumnView *column(Statement *self, uint32_t i, uint32_t rows, bool nulls) {
    ColumnView *c = &self->cols[i];
    *c = (ColumnView){.type = self->columns[i].type,
                      .physical = type_physical(self->columns[i].type)};
    size_t size = physical_size(c->physical);
    c->data = arena_alloc(self->batch_arena, (size_t)rows * (size ? size : 1) + 16);
    if (nulls) {
        uint64_t *bits = arena_alloc(self->batch_arena, bitmap_words(rows) * 8);
        bitmap_fill(bits, rows, true);
        c->validity = bits;
    }
    return c;
}

static void put_text(Statement *self, ColumnView *c, uint32_t row, const char *text,
                     size_t length) {
    char *copy = arena_copy(self->batch_arena, text, length);
    ((StrView *)(uintptr_t)c->data)[row] = strview_of(copy, length);
}

#define AT(ctype, c, row) (((ctype *)(uintptr_t)(c)->data)[row])

static void types_list(Statement *self, ColumnView *c) {
    ColumnView *child = arena_alloc(self->batch_arena, sizeof *child);
    int32_t *items = arena_alloc(self->batch_arena, 16);
    for (int i = 0; i < 3; i++) items[i] = i + 1;
    *child =
        (ColumnView){.type = array_fields.field[0].type, .physical = PHYS_INT32, .data = items};
    c->nchildren = 1;
    c->children = child;
    AT(ListEntry, c, 0) = (ListEntry){0, 3};
    AT(ListEntry, c, 1) = (ListEntry){1, 1};
    AT(ListEntry, c, 2) = (ListEntry){0, 0};
}

static void types_row(Statement *self, ColumnView **c, uint32_t r) {
    static const struct {
        int64_t i[5];
        double real;
        const char *text, *fixed;
        int32_t date;
        int64_t time, us;
    } rows[3] = {{{1, 12, 1234, 123456, 123456789012},
                  1.5,
                  "Grüße",
                  "abc",
                  19737,
                  45296789000000,
                  1705314896789012},
                 {{1, -128, -32768, INT32_MIN, INT64_MIN},
                  -1.25e10,
                  "\xF0\x9F\x98\x80 smile \xE2\x82\xAC and more than twelve bytes",
                  "\xC3\xA9tage",
                  -719162,
                  86399999000000,
                  -1},
                 {{0, 0, 0, 0, 0}, 0, "", "", 0, 0, 0}};
    AT(uint8_t, c[0], r) = (uint8_t)rows[r].i[0];
    AT(int8_t, c[1], r) = (int8_t)rows[r].i[1];
    AT(int16_t, c[2], r) = (int16_t)rows[r].i[2];
    AT(int32_t, c[3], r) = (int32_t)rows[r].i[3];
    AT(int64_t, c[4], r) = rows[r].i[4];
    AT(float, c[5], r) = (float)rows[r].real;
    AT(double, c[6], r) = rows[r].real;
    AT(int64_t, c[7], r) = r == 0 ? 129999 : r == 1 ? -9999999999 : 0;
    Int128 big = r == 2 ? 0 : decimal_powers[38] - 1;
    AT(Int128, c[8], r) = r == 1 ? -big : big;
    put_text(self, c[9], r, rows[r].text, strlen(rows[r].text));
    put_text(self, c[10], r, rows[r].fixed, strlen(rows[r].fixed));
    put_text(self, c[11], r,
             r == 0   ? "42"
             : r == 1 ? " -1.75 "
                      : "2024-02-29",
             r == 0   ? 2
             : r == 1 ? 7
                      : 10);
    put_text(self, c[12], r, "\x00\x01\xFE\xFF", r == 2 ? 0 : 4);
    AT(int32_t, c[13], r) = rows[r].date;
    AT(int64_t, c[14], r) = rows[r].time;
    AT(int64_t, c[15], r) = rows[r].us;
    AT(Instant, c[16], r) = (Instant){rows[r].us, r == 0 ? 345 : r == 1 ? 999 : 0, 0};
    AT(ZonedInstant, c[17], r) =
        (ZonedInstant){rows[r].us, r == 0 ? ZONE_OFFSET_BASE + 120 : ZONE_UTC, 0, 0};
    AT(TimeTz, c[18], r) = (TimeTz){rows[r].time / 1000000000 * 1000000000, r == 0 ? -5400 : 0, 0};
    AT(int32_t, c[19], r) = r == 0 ? 18 : r == 1 ? -25 : 0;
    AT(int64_t, c[20], r) = r == 0 ? 183845678000 : r == 1 ? -1 : 0;
    for (uint8_t i = 0; i < 16; i++) AT(Uuid, c[21], r).bytes[i] = (uint8_t)(r == 2 ? 0 : i * 17);
    put_text(self, c[22], r, "{\"a\":[1,2]}", r == 2 ? 4 : 11);
    if (r == 2) put_text(self, c[22], r, "null", 4);
}

static void types_batch(Statement *self) {
    ColumnView *c[MAX_COLUMNS];
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        c[i] = column(self, i, 4, true);
        uint64_t *bits = (uint64_t *)(uintptr_t)c[i]->validity;
        bitmap_unset(bits, 3);
        if (i == 24) bitmap_fill(bits, 4, false);
    }
    for (uint32_t r = 0; r < 3; r++) types_row(self, c, r);
    types_list(self, c[23]);
    self->view = (BatchView){.rows = 4, .ncolumns = self->ncolumns, .columns = self->cols};
}

/* Row r: i = r, b = r * 1000003, d = r / 4, n = r / 100, s = "row r" or longer, every 7th s NULL. */
static void numbers_batch(Statement *self, uint32_t rows) {
    ColumnView *c[7];
    for (uint32_t i = 0; i < 7; i++) c[i] = column(self, i, rows, i == 4);
    for (uint32_t k = 0; k < rows; k++) {
        int64_t r = self->row + k;
        char text[64];
        int n = snprintf(text, sizeof text,
                         r % 3 ? "row %lld" : "row number %lld of the canned table", (long long)r);
        AT(int32_t, c[0], k) = (int32_t)r;
        AT(int64_t, c[1], k) = r * 1000003;
        AT(double, c[2], k) = (double)r / 4;
        AT(int64_t, c[3], k) = r;
        if (r % 7 == 6)
            bitmap_unset((uint64_t *)(uintptr_t)c[4]->validity, k);
        else
            put_text(self, c[4], k, text, (size_t)n);
        AT(int32_t, c[5], k) = (int32_t)(r % 40000);
        AT(int64_t, c[6], k) = r * 1001000;
    }
    self->view = (BatchView){.rows = rows, .ncolumns = 7, .columns = self->cols};
}

/* Physical rows are twice as many; the selection takes the odd ones. */
static void forms_batch(Statement *self, uint32_t rows) {
    static const char *const words[] = {"zero", "one", "two"};
    uint16_t *selection = arena_alloc(self->batch_arena, rows * 2);
    uint32_t *indices = arena_alloc(self->batch_arena, (size_t)rows * 8);
    uint64_t *holes = arena_alloc(self->batch_arena, bitmap_words((size_t)rows * 2) * 8);
    for (uint32_t i = 0; i < rows; i++) {
        selection[i] = (uint16_t)(i * 2 + 1);
        uint32_t r = (uint32_t)self->row + i;
        indices[i * 2] = 99; /* never looked at */
        indices[i * 2 + 1] = r % 3;
        if (r % 5) bitmap_set(holes, i * 2 + 1);
    }
    for (uint32_t i = 0; i < 3; i++) {
        ColumnView *c = column(self, i, 3, false);
        if (i == 0) {
            c->form = COLUMN_CONSTANT;
            AT(int32_t, c, 0) = 7;
            continue;
        }
        c->form = COLUMN_DICTIONARY;
        for (uint32_t w = 0; w < 3; w++) put_text(self, c, w, words[w], strlen(words[w]));
        c->indices = indices;
        if (i == 2) c->row_validity = holes;
    }
    self->view =
        (BatchView){.rows = rows, .selection = selection, .ncolumns = 3, .columns = self->cols};
}

static void value_print(Buf *out, const TribValue *v) {
    char text[CALENDAR_TEXT_MAX], name[64];
    if (v->is_null) {
        buf_text(out, "NULL");
        return;
    }
    engine_type_name(v->type, name, sizeof name);
    buf_printf(out, "%s=", name);
    switch (v->type.id) {
    case TRIB_TYPE_VARCHAR: buf_add(out, v->as.text.data, v->as.text.length); break;
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_UUID:
        for (size_t i = 0; i < v->as.text.length; i++)
            buf_printf(out, "%02x", (uint8_t)v->as.text.data[i]);
        break;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        (void)double_format(v->as.real, text);
        buf_text(out, text);
        break;
    case TRIB_TYPE_DECIMAL:
        (void)decimal_format(v->type.precision <= 18 ? (Int128)v->as.integer : v->as.wide,
                             v->type.scale, text);
        buf_text(out, text);
        break;
    case TRIB_TYPE_DATE:
        (void)date_format_iso((int32_t)v->as.integer, text);
        buf_text(out, text);
        break;
    case TRIB_TYPE_TIME:
        (void)time_format_iso(v->as.integer, 3, text);
        buf_text(out, text);
        break;
    case TRIB_TYPE_TIMESTAMP:
        (void)timestamp_format_iso(v->type.precision > 6 ? v->as.instant.us : v->as.integer,
                                   v->type.precision > 6 ? v->as.instant.ns : 0, 9, text);
        buf_text(out, text);
        break;
    default: buf_printf(out, "%lld", (long long)v->as.integer);
    }
}

static void one_row(Statement *self) {
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        ColumnView *c = column(self, i, 1, false);
        if (c->physical == PHYS_INT32) {
            AT(int32_t, c, 0) = 1;
        } else if (self->kind == FAKE_TEXT) {
            AT(StrView, c, 0) = strview_of(self->text.data, self->text.len);
        } else {
            Buf text;
            buf_init(&text, self->batch_arena, 1 << 20);
            value_print(&text, &self->values[i]);
            put_text(self, c, 0, text.data, text.len);
        }
    }
    self->view = (BatchView){.rows = 1, .ncolumns = self->ncolumns, .columns = self->cols};
}

void statement_set_scrollable(Statement *self, bool on) {
    (void)self;
    (void)on;
}

/* Canned rows are none of a table: what is changed through cursors is tested over the real engine
 * (test_change.c). */
void statement_set_updatable(Statement *self, bool on) {
    (void)self;
    (void)on;
}

const UpdateTarget *statement_update_target(const Statement *self, const char **reason) {
    (void)self;
    if (reason) *reason = "the rows are canned";
    return NULL;
}

bool statement_written_table(const Statement *self, Str *catalog, Str *schema, Str *table) {
    (void)self;
    *catalog = *schema = *table = STR("");
    return false;
}

bool engine_split_positioned(Str sql, Str *change, Str *cursor) {
    *change = *cursor = sql;
    return false;
}

Status column_value(const ColumnView *column, uint32_t position, Arena *arena, TribValue *out,
                    Error *err) {
    (void)arena;
    *out = (TribValue){.type = column->type, .is_null = column_value_null(column, position)};
    return out->is_null ? TRIB_OK : error_set(err, ERR_UNSUPPORTED, "canned rows have no values");
}

/* Canned rows come once: static cursors are tested over the real engine (test_scroll.c). */
Status statement_seek_start(Statement *self, uint64_t row, Error *err) {
    (void)self;
    (void)row;
    return error_set(err, ERR_UNSUPPORTED, "canned rows go forward only");
}

uint64_t statement_rows_kept(const Statement *self, bool *all) {
    (void)self;
    *all = false;
    return 0;
}

Status statement_fetch_start(Statement *self, Error *err) {
    self->request = PENDING_FETCH;
    self->pending = TRIB_OK;
    if (self->kind == FAKE_BENCH && self->row > 0 && self->view.rows) {
        if (self->row++ >= self->n) self->view.rows = 0;
        return TRIB_OK;
    }
    /* poison what was lent out, so that a driver that still looks at it is found */
    for (uint32_t i = 0; i < self->view.ncolumns && self->view.rows; i++)
        if (self->cols[i].data && self->cols[i].physical == PHYS_STRING &&
            self->cols[i].form == COLUMN_FLAT)
            memset((void *)(uintptr_t)self->cols[i].data, 0xEE, self->view.rows * sizeof(StrView));
    arena_reset(self->batch_arena);
    self->view.rows = 0;
    if (!self->open) return TRIB_OK;
    int64_t total = self->kind == FAKE_TYPES                                 ? 4
                    : self->kind == FAKE_NUMBERS || self->kind == FAKE_FORMS ? self->n
                                                                             : 1;
    if (self->kind == FAKE_FAIL_FETCH) total = self->n + 1;
    int64_t size = self->kind == FAKE_NUMBERS && self->m > 0 ? self->m
                   : self->kind == FAKE_FAIL_FETCH           ? 1
                                                             : BATCH;
    uint32_t rows = (uint32_t)(total - self->row < size ? total - self->row : size);
    if (rows == 0) return TRIB_OK;
    if (self->kind == FAKE_FAIL_FETCH && self->row == self->n) {
        self->pending =
            error_set(&self->error, ERR_CONNECTION_LOST, "the connection to the source broke");
        return TRIB_OK;
    }
    if (self->kind == FAKE_BENCH) {
        numbers_batch(self, BATCH);
        self->row = 1;
        return TRIB_OK;
    }
    if (self->kind == FAKE_TYPES)
        types_batch(self);
    else if (self->kind == FAKE_NUMBERS)
        numbers_batch(self, rows);
    else if (self->kind == FAKE_FORMS)
        forms_batch(self, rows);
    else
        one_row(self);
    self->row += rows;
    return TRIB_OK;
}

Status statement_fetch(Statement *self, const BatchView **out, Error *err) {
    bool done;
    TRY(statement_fetch_start(self, err));
    TRY(statement_wait(self, -1, &done, err));
    *out = &self->view;
    return TRIB_OK;
}
const BatchView *statement_batch(const Statement *self) {
    return &self->view;
}

static bool is_slow(const Statement *self) {
    return (self->request == PENDING_EXECUTE && self->kind == FAKE_SLOW) ||
           (self->request == PENDING_FETCH && self->kind == FAKE_SLOW_ROWS);
}

Status statement_wait(Statement *self, int64_t timeout_ns, bool *done, Error *err) {
    *done = true;
    if (self->kind == FAKE_DELAY && timeout_ns >= 0 && self->polls++ < self->n) {
        *done = false;
        return TRIB_OK;
    }
    while (is_slow(self)) {
        Status status = cancel_check(self->cancel, err);
        if (status != TRIB_OK) return status;
        if (timeout_ns >= 0) {
            *done = false;
            return TRIB_OK;
        }
        usleep(1000);
    }
    if (self->pending != TRIB_OK) {
        *err = self->error;
        return self->pending;
    }
    return TRIB_OK;
}

Status column_value_text(const ColumnView *c, uint32_t at, Buf *out, Error *err) {
    const ListEntry *entry = (const ListEntry *)c->data + at;
    buf_char(out, '[');
    for (uint32_t i = 0; i < entry->length; i++)
        buf_printf(out, "%s%d", i ? "," : "",
                   ((const int32_t *)c->children[0].data)[entry->offset + i]);
    buf_char(out, ']');
    return TRIB_OK;
}
bool column_value_null(const ColumnView *c, uint32_t at) {
    return c->validity && !bitmap_get(c->validity, at);
}
void statement_progress(const Statement *self, Progress *out) {
    memset(out, 0, sizeof *out);
}

/* ---- metadata */

static const MetadataTable fake_tables[] = {
    {{"shop", 4}, {"main", 4}, {"customers", 9}, {"people who buy", 14}, "TABLE"},
    {{"shop", 4}, {"main", 4}, {"late_orders", 11}, {"", 0}, "VIEW"},
    {{"memory", 6}, {"default", 7}, {"customers", 9}, {"", 0}, "TABLE"},
};

static bool wanted(const MetadataFilter *filter, Str pattern, Str name) {
    if (!pattern.data || (!filter->literal && str_equal(pattern, STR("%")))) return true;
    if (filter->literal) return str_equal_fold(pattern, name);
    if (pattern.len && pattern.data[pattern.len - 1] == '%')
        return name.len >= pattern.len - 1 && memcmp(name.data, pattern.data, pattern.len - 1) == 0;
    return str_equal(pattern, name);
}

Status statement_list_schemas(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) {
    TRY(visitor->schema(visitor->context, STR("shop"), STR("main"), err));
    TRY(visitor->schema(visitor->context, STR("memory"), STR("main"), err));
    return visitor->schema(visitor->context, STR("memory"), STR("default"), err);
}

Status statement_list_tables(Statement *self, const MetadataFilter *filter,
                             const MetadataVisitor *visitor, Error *err) {
    for (size_t i = 0; i < COUNT_OF(fake_tables); i++) {
        const MetadataTable *t = &fake_tables[i];
        if (wanted(filter, filter->catalog, t->catalog) &&
            wanted(filter, filter->schema, t->schema) && wanted(filter, filter->table, t->table))
            TRY(visitor->table(visitor->context, t, err));
    }
    return TRIB_OK;
}

Status statement_list_columns(Statement *self, const MetadataFilter *filter,
                              const MetadataVisitor *visitor, Error *err) {
    for (size_t i = 0; i < COUNT_OF(fake_tables); i++) {
        const MetadataTable *t = &fake_tables[i];
        MetadataColumn c = {.catalog = t->catalog,
                            .schema = t->schema,
                            .table = t->table,
                            .comment = STR(""),
                            .default_sql = STR("")};
        if (!wanted(filter, filter->catalog, t->catalog) ||
            !wanted(filter, filter->schema, t->schema) || !wanted(filter, filter->table, t->table))
            continue;
        const struct {
            Str name;
            TribType type;
        } columns[] = {{STR("id"), {.id = TRIB_TYPE_BIGINT}},
                       {STR("name"), {.id = TRIB_TYPE_VARCHAR, .length = 30}},
                       {STR("born"), {.id = TRIB_TYPE_DATE}},
                       {STR("seen"), {.id = TRIB_TYPE_TIMESTAMP, .precision = 3}},
                       {STR("credit"), {.id = TRIB_TYPE_DECIMAL, .precision = 12, .scale = 2}}};
        for (uint32_t k = 0; k < COUNT_OF(columns); k++) {
            if (!wanted(filter, filter->column, columns[k].name)) continue;
            c.name = columns[k].name;
            c.type = columns[k].type;
            c.nullable = k > 0;
            c.ordinal = k + 1;
            TRY(visitor->column(visitor->context, &c, err));
        }
    }
    return TRIB_OK;
}

Status statement_list_keys(Statement *self, Str catalog, Str schema, Str table, void *context,
                           Status (*key)(void *context, const MetadataKey *key, Error *err),
                           Error *err) {
    if (!str_equal_fold(table, STR("customers")))
        return error_set(err, ERR_TABLE_NOT_FOUND, "no such table");
    MetadataKey t = {.rows = 4e9};
    TRY(key(context, &t, err));
    MetadataKey k = {.name = STR("pk_customers"),
                     .column = STR("id"),
                     .primary = true,
                     .unique = true,
                     .ordinal = 1};
    TRY(key(context, &k, err));
    MetadataKey u = {.name = STR("by_name"),
                     .column = STR("name"),
                     .unique = true,
                     .nullable = true,
                     .key = 1,
                     .ordinal = 1};
    return key(context, &u, err);
}

/* customers (region_id) refers to regions (id) in shop.main; nobody refers to customers. */
Status statement_list_references(
    Statement *self, const MetadataFilter *filter, bool incoming, void *context,
    Status (*reference)(void *context, const MetadataReference *reference, Error *err),
    Error *err) {
    if (!str_equal_fold(filter->table, incoming ? STR("regions") : STR("customers")))
        return TRIB_OK;
    MetadataReference r = {.name = STR("to_region"),
                           .key_name = STR("pk_regions"),
                           .catalog = STR("shop"),
                           .schema = STR("main"),
                           .table = STR("customers"),
                           .column = STR("region_id"),
                           .to_schema = STR("main"),
                           .to_table = STR("regions"),
                           .to_column = STR("id"),
                           .ordinal = 1,
                           .on_update = TRIB_RULE_CASCADE,
                           .on_delete = TRIB_RULE_SET_NULL,
                           .immediate = true};
    return reference(context, &r, err);
}

/* No source takes a statement whole here. */
bool statement_source_text(const Statement *self, Str *text) {
    return false;
}

/* ---- registries */

bool engine_has_function(TribFunctionId id) {
    return id == TRIB_FN_concat || id == TRIB_FN_abs || id == TRIB_FN_year ||
           id == TRIB_AGG_count || id == TRIB_AGG_sum;
}
bool engine_can_cast(TribTypeId from, TribTypeId to) {
    return from == to || to == TRIB_TYPE_VARCHAR;
}
const char *engine_reserved_word(uint32_t index) {
    static const char *const words[] = {"select", "unnest", "from", "recursive", NULL};
    return words[index < 4 ? index : 4];
}
size_t engine_type_name(TribType type, char *out, size_t size) {
    static const char *const names[] = {
#define TRIB_TYPE_ROW(number, name, sql_name) [number] = sql_name,
#include "connectors/ids.def"
    };
    int n = type.id == TRIB_TYPE_ARRAY ? snprintf(out, size, "array(integer)")
                                       : snprintf(out, size, "%s", names[type.id]);
    return (size_t)n;
}
const char *engine_version(void) {
    return "1.2.3";
}
