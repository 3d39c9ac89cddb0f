/*
 * diag.c - diagnostic records: order, spelling, origin.
 *
 * Memory: messages live in an arena of the handle that is reset when the records are dropped; a call
 * that posts nothing costs one comparison. Threads: under the handle's lock.
 */
#include <stdarg.h>
#include <stdio.h>

#include "driver/handle.h"

#define DIAG_PREFIX "[Tributary][ODBC]"

void diag_clear(Diag *self) {
    if (self->count || self->lost) {
        arena_reset(self->arena);
        self->records = NULL;
        self->count = self->capacity = 0;
        self->lost = false;
    }
    self->warned = false;
    self->return_code = SQL_SUCCESS;
}

void diag_free(Diag *self) {
    arena_free(self->arena);
    memset(self, 0, sizeof *self);
}

/* Lower stands first. */
static uint32_t state_rank(const char *state, bool error) {
    if (!error) return 9;
    if (memcmp(state, "08", 2) == 0 || memcmp(state, "40", 2) == 0) return 0;
    return memcmp(state, "02", 2) == 0 ? 5 : 1;
}

/* Rows of unknown number first, then those without a row, then by row. */
static bool record_before(const DiagRecord *a, const DiagRecord *b) {
    return a->row != b->row ? a->row < b->row : a->rank < b->rank;
}

static bool diag_room(Diag *self) {
    if (self->count < self->capacity) return true;
    uint32_t capacity = self->capacity ? self->capacity * 2 : 8;
    DiagRecord **records = ARENA_ARRAY(self->arena, DiagRecord *, capacity);
    if (!records) return false;
    if (self->count) memcpy(records, self->records, self->count * sizeof *records);
    self->records = records;
    self->capacity = capacity;
    return true;
}

/* A full list: an error takes the place of the last warning; false if there is none. */
static bool diag_evict(Diag *self, bool error) {
    if (!error) return false;
    for (uint32_t i = self->count; i-- > 0;) {
        if (self->records[i]->rank != 9) continue;
        memmove(&self->records[i], &self->records[i + 1],
                (self->count - i - 1) * sizeof *self->records);
        self->count--;
        return true;
    }
    return false;
}

static void diag_insert(Diag *self, DiagRecord *record) {
    uint32_t at = self->count;
    while (at > 0 && record_before(record, self->records[at - 1])) {
        self->records[at] = self->records[at - 1];
        at--;
    }
    self->records[at] = record;
    self->count++;
}

typedef struct DiagPost {
    const char *state, *source, *message, *detail, *hint;
    uint32_t line, column_in_text;
    int32_t native;
    bool error;
    SQLLEN row;
    SQLINTEGER column;
} DiagPost;

static const char *post_text(Arena *arena, const DiagPost *post) {
    Buf text;
    buf_init(&text, arena, DIAG_TEXT_MAX);
    buf_text(&text, DIAG_PREFIX);
    if (post->source && post->source[0]) buf_printf(&text, "[%s]", post->source);
    buf_char(&text, ' ');
    buf_text(&text, post->message);
    if (post->line) buf_printf(&text, " (line %u, column %u)", post->line, post->column_in_text);
    if (post->detail && post->detail[0]) buf_printf(&text, "; %s", post->detail);
    if (post->hint && post->hint[0]) buf_printf(&text, ". Hint: %s", post->hint);
    return text.data;
}

static void diag_post(Handle *handle, const DiagPost *post) {
    Diag *self = &handle->diag;
    if (!post->error) self->warned = true;
    if (!self->arena) self->arena = arena_new(NULL);
    DiagRecord *record = NULL;
    if (self->arena && (self->count < DIAG_MAX || diag_evict(self, post->error)) && diag_room(self))
        record = ARENA_NEW(self->arena, DiagRecord);
    const char *text = record ? post_text(self->arena, post) : NULL;
    if (!text) {
        self->lost = self->lost || self->count < DIAG_MAX;
        return;
    }
    memcpy(record->sqlstate, post->state, 5);
    record->native = post->native;
    record->row = post->row;
    record->column = post->column;
    record->message = text;
    record->server = post->source && post->source[0] ? arena_strdup(self->arena, post->source) : "";
    if (!record->server) record->server = "";
    record->rank = state_rank(post->state, post->error);
    diag_insert(self, record);
}

PRINTF_LIKE(4, 0)
static void diag_format(Handle *handle, ErrorCode code, bool error, const char *format,
                        va_list arguments) {
    char message[DIAG_TEXT_MAX];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length >= (int)sizeof message)
        message[utf8_cut(message, sizeof message - 1, sizeof message - 1)] = 0;
    diag_post(handle, &(DiagPost){.state = error_sqlstate(code),
                                  .message = message,
                                  .error = error,
                                  .row = SQL_NO_ROW_NUMBER,
                                  .column = SQL_NO_COLUMN_NUMBER});
}

SQLRETURN diag_error(Handle *handle, ErrorCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diag_format(handle, code, true, format, arguments);
    va_end(arguments);
    return SQL_ERROR;
}

void diag_warning(Handle *handle, ErrorCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    diag_format(handle, code, false, format, arguments);
    va_end(arguments);
}

SQLRETURN diag_no_memory(Handle *handle) {
    return diag_error(handle, ERR_OUT_OF_MEMORY, "out of memory");
}

static DiagPost post_of(const Error *err, bool error) {
    return (DiagPost){.state = err->sqlstate,
                      .source = err->source,
                      .message = err->message,
                      .detail = err->detail,
                      .hint = err->hint,
                      .line = err->line,
                      .column_in_text = err->column,
                      .native = err->native,
                      .error = error,
                      .row = SQL_NO_ROW_NUMBER,
                      .column = SQL_NO_COLUMN_NUMBER};
}

SQLRETURN diag_engine(Handle *handle, const Error *err) {
    DiagPost post = post_of(err, true);
    diag_post(handle, &post);
    return SQL_ERROR;
}

void diag_engine_warning(Handle *handle, const Error *err) {
    DiagPost post = post_of(err, false);
    if (memcmp(post.state, "01", 2) != 0) post.state = "01000";
    diag_post(handle, &post);
}

void diag_row(Handle *handle, const Error *err, bool error, SQLLEN row, SQLINTEGER column) {
    DiagPost post = post_of(err, error);
    post.row = row;
    post.column = column;
    diag_post(handle, &post);
}

typedef struct StatePair {
    char three[6], two[6];
} StatePair;

static const StatePair state_pairs[] = {
#define STATE2(three, two) {three, two},
#include "driver/sqlstates.def"
};

static const char odbc_subclasses[][6] = {
#define ODBC_SUBCLASS(state) state,
#include "driver/sqlstates.def"
};

void diag_state(const char *sqlstate, bool odbc2, char out[6]) {
    memcpy(out, sqlstate, 6);
    if (!odbc2) return;
    for (size_t i = 0; i < COUNT_OF(state_pairs); i++) {
        if (memcmp(state_pairs[i].three, sqlstate, 5) != 0) continue;
        memcpy(out, state_pairs[i].two, 6);
        return;
    }
    if (memcmp(sqlstate, "HY", 2) == 0) memcpy(out, "S1", 2);
}

const char *diag_class_origin(const char *sqlstate) {
    return memcmp(sqlstate, "IM", 2) == 0 ? "ODBC 3.0" : "ISO 9075";
}

const char *diag_subclass_origin(const char *sqlstate) {
    for (size_t i = 0; i < COUNT_OF(odbc_subclasses); i++)
        if (memcmp(odbc_subclasses[i], sqlstate, 5) == 0) return "ODBC 3.0";
    return diag_class_origin(sqlstate);
}
