/*
 * teradata.c - rows and kernels of functions that Trino has for those who come from Teradata: dates and times after its
 * patterns, and char2hexint.
 */
#include "engine/functions/datetime_pattern.h"

/* The pattern of the rows, compiled again when it changes. */
typedef struct TeradataPattern {
    Str last;
    Pattern pattern;
    bool known, good;
} TeradataPattern;

/* NULL with the row's error if it is none. */
static Status pattern_at(TeradataPattern *self, KernelCall *call, uint32_t row,
                         const Pattern **out) {
    Str text = strview_str(&KERNEL_ARG(call, 1, StrView, row));
    *out = NULL;
    if (!self->known || !str_equal(text, self->last)) {
        TRY(pattern_teradata(call->arena, text, &self->pattern, &self->good, call->err));
        self->last = text;
        self->known = true;
    }
    if (self->good) {
        *out = &self->pattern;
    } else {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the pattern is made of yyyy, yy, mm, dd, hh, hh24, mi, ss and punctuation");
    }
    return TRIB_OK;
}

static Status kernel_to_char(KernelCall *call) {
    TeradataPattern cache = {0};
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        const Pattern *pattern;
        TRY(pattern_at(&cache, call, row, &pattern));
        if (pattern == NULL) continue;
        kernel_buf_reset(&text);
        (void)pattern_write(pattern, moment_at(&call->args[0], row), &text); /* asks for no zone */
        TRY(kernel_put_buf(call, row, &text));
    });
    return TRIB_OK;
}

/* The moment that a row's text gives; *out untouched where the row has its error. */
static Status read_row(TeradataPattern *cache, KernelCall *call, uint32_t row, Moment *out) {
    const Pattern *pattern;
    Moment m;
    TRY(pattern_at(cache, call, row, &pattern));
    if (pattern == NULL) return TRIB_OK;
    if (pattern_read(pattern, arg_text(call, 0, row), &m)) {
        *out = m;
    } else {
        KERNEL_FAIL(call, row, ERR_DATETIME_FORMAT, "the text does not match the pattern");
    }
    return TRIB_OK;
}

static Status kernel_to_timestamp(KernelCall *call) {
    TeradataPattern cache = {0};
    KERNEL_ROWS(call, row, {
        Moment m = {0};
        TRY(read_row(&cache, call, row, &m));
        moment_put(call->result, row, m);
    });
    return TRIB_OK;
}

static Status kernel_to_date(KernelCall *call) {
    TeradataPattern cache = {0};
    KERNEL_ROWS(call, row, {
        Moment m = {0};
        TRY(read_row(&cache, call, row, &m));
        ((int32_t *)call->result->data)[row] = (int32_t)floor_div(m.us, US_PER_DAY);
    });
    return TRIB_OK;
}

static void put_hex(Buf *out, uint32_t unit) {
    buf_printf(out, "%04X", unit);
}

/* Code points beyond the basic plane are two units. */
static Status kernel_char2hexint(KernelCall *call) {
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        Str value = arg_text(call, 0, row);
        kernel_buf_reset(&text);
        for (size_t at = 0; at < value.len;) {
            uint32_t c = (uint32_t)utf8_next(value.data, value.len, &at);
            if (c >= 0x10000) {
                put_hex(&text, 0xD800 + ((c - 0x10000) >> 10));
                c = 0xDC00 + ((c - 0x10000) & 0x3FF);
            }
            put_hex(&text, c);
        }
        TRY(kernel_put_buf(call, row, &text));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define TERADATA(ID, SIGNATURE, RAISES, FAMILY, HELP)                                            \
    {                                                                                            \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES,            \
        .stability = STABILITY_IMMUTABLE, .kernel = kernel_##ID, .family = FAMILY, .help = HELP, \
    }

static const char help_char[] = "As text after a pattern of yyyy, mm, dd, hh24, mi, ss.";

static const Function rows[] = {
    TERADATA(to_char, "timestamp, varchar -> varchar", true, "date and time", help_char),
    TERADATA(to_char, "timestamp with time zone, varchar -> varchar", true, "date and time",
             help_char),
    TERADATA(to_date, "varchar, varchar -> date", true, "date and time",
             "The date that a text gives after a pattern of yyyy, mm, dd."),
    TERADATA(to_timestamp, "varchar, varchar -> timestamp(3)", true, "date and time",
             "The timestamp that a text gives after a pattern of yyyy, mm, dd, hh24, mi, ss."),
    TERADATA(char2hexint, "varchar -> varchar", true, "text",
             "The text's UTF-16 as hexadecimal digits, four to a unit."),
};

FUNCTION_TABLE(functions_teradata, rows);
