/*
 * error.c - filling in error records.
 *
 * One table, sqlstates.def, gives every code its status and SQLSTATE. Texts are formatted in the C
 * locale, cut at a character boundary, and bytes that are not UTF-8 (a server's message, say)
 * become question marks, so that whoever reads a record may rely on its text. No allocation, no
 * state.
 */
#include <stdio.h>
#include <string.h>

#include "engine/base/error.h"
#include "engine/base/text.h"

typedef struct ErrorRow {
    Status status;
    char sqlstate[6];
    const char *meaning;
} ErrorRow;

static const ErrorRow error_rows[ERR_COUNT] = {
#define ERR(symbol, code_status, state, text) [ERR_##symbol] = {code_status, state, text},
#include "engine/base/sqlstates.def"
#undef ERR
};

static const ErrorRow *error_row(ErrorCode code) {
    return &error_rows[(unsigned)code < ERR_COUNT ? code : ERR_GENERAL];
}

/* Makes out[0..len) valid UTF-8: a character cut off by the buffer's end is dropped, any other
 * invalid byte is replaced. */
static void text_sanitise(char *out, size_t len, bool cut) {
    if (cut) {
        size_t lead = len;
        while (lead > 0 && len - lead < 3 && ((unsigned char)out[lead - 1] & 0xC0) == 0x80) lead--;
        if (lead > 0 && (unsigned char)out[lead - 1] >= 0xC0) {
            size_t at = lead - 1;
            if (utf8_next(out, len, &at) < 0) len = lead - 1;
        }
        out[len] = '\0';
    }
    if (utf8_valid(out, len)) return;
    for (size_t at = 0; at < len;) {
        size_t before = at;
        if (utf8_next(out, len, &at) < 0) out[before] = '?';
    }
}

static void PRINTF_LIKE(3, 0)
    text_fill(char *out, size_t size, const char *format, va_list arguments) {
    int length = text_vformat(out, size, format, arguments);
    if (length < 0) {
        out[0] = '\0';
        return;
    }
    bool cut = (size_t)length >= size;
    text_sanitise(out, cut ? size - 1 : (size_t)length, cut);
}

void error_clear(Error *err) {
    memset(err, 0, sizeof *err);
}

Status error_setv(Error *err, ErrorCode code, const char *format, va_list arguments) {
    const ErrorRow *row = error_row(code);
    if (!err) return row->status;
    err->status = row->status;
    memcpy(err->sqlstate, row->sqlstate, sizeof err->sqlstate);
    err->retryable = row->status == TRIB_THROTTLED;
    err->native = 0;
    err->line = err->column = err->row = 0;
    err->source[0] = err->detail[0] = err->hint[0] = '\0';
    text_fill(err->message, sizeof err->message, format, arguments);
    return row->status;
}

Status error_set(Error *err, ErrorCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    Status status = error_setv(err, code, format, arguments);
    va_end(arguments);
    return status;
}

Status error_set_at(Error *err, ErrorCode code, uint32_t line, uint32_t column, const char *format,
                    ...) {
    va_list arguments;
    va_start(arguments, format);
    Status status = error_setv(err, code, format, arguments);
    va_end(arguments);
    if (err) {
        err->line = line;
        err->column = column;
    }
    return status;
}

Status error_detail(Error *err, const char *format, ...) {
    if (!err) return TRIB_INTERNAL;
    va_list arguments;
    va_start(arguments, format);
    text_fill(err->detail, sizeof err->detail, format, arguments);
    va_end(arguments);
    return err->status;
}

Status error_place(Error *err, Status status, uint32_t line, uint32_t column) {
    if (status == TRIB_OK || !err || err->line != 0) return status;
    err->line = line;
    err->column = column;
    return status;
}

Status error_hint(Error *err, const char *format, ...) {
    if (!err) return TRIB_INTERNAL;
    va_list arguments;
    va_start(arguments, format);
    text_fill(err->hint, sizeof err->hint, format, arguments);
    va_end(arguments);
    return err->status;
}

static void PRINTF_LIKE(3, 4) text_set(char *out, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_fill(out, size, format, arguments);
    va_end(arguments);
}

Status error_source(Error *err, const char *catalog) {
    if (!err) return TRIB_INTERNAL;
    if (err->source[0] == '\0' && catalog) text_set(err->source, sizeof err->source, "%s", catalog);
    return err->status;
}

Status error_out_of_memory(Error *err) {
    return error_set(err, ERR_OUT_OF_MEMORY, "out of memory");
}

Status error_errno(Error *err, ErrorCode code, int error_number, const char *what) {
    /* The text of the C locale: a message must not change with the application's language. */
    const char *text = strerror_l(error_number, text_c_locale());
    Status status =
        error_set(err, code, "%s: %s", what, text && text[0] ? text : "unknown system error");
    if (err) err->native = error_number;
    return status;
}

const char *error_sqlstate(ErrorCode code) {
    return error_row(code)->sqlstate;
}
