/*
 * text_edit.c - rows and kernels of text functions that build new text.
 *
 * The length of a result is known before it is written, so that the limit on values is checked first
 * and each row is written once.
 */
#include "engine/functions/helpers.h"
#include "engine/kernels/text.h"

/* ---------------------------------------------------------------- concat, repeat, reverse */

static Status kernel_concat(KernelCall *call) {
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        uint64_t len = 0;
        for (uint32_t i = 0; i < call->nargs; i++) {
            len += KERNEL_ARG(call, i, StrView, row).len;
        }
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        size_t at = 0;
        for (uint32_t i = 0; i < call->nargs; i++) {
            Str part = arg_text(call, i, row);
            memcpy(out + at, part.data, part.len);
            at += part.len;
        }
        row_view(call, row, out, (size_t)len);
    });
    return TRIB_OK;
}

/* char(x) || char(y) is a char(x + y): the first one is filled up, blanks at the end are not stored. */
static Status kernel_concat_char(KernelCall *call) {
    char small[STRVIEW_INLINE];
    uint32_t width = call->args[0].type.length;
    KERNEL_ROWS(call, row, {
        Str first = arg_text(call, 0, row), second = arg_text(call, 1, row);
        size_t given = second.len ? utf8_length(first.data, first.len) : width;
        size_t blanks = width > given ? width - given : 0;
        char *out = row_text(call, row, first.len + blanks + second.len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        memcpy(out, first.data, first.len);
        memset(out + first.len, ' ', blanks);
        memcpy(out + first.len + blanks, second.data, second.len);
        row_view(call, row, out, first.len + blanks + second.len);
    });
    return TRIB_OK;
}

#define CHAR_MOST 65536u

static Status resolve_concat_char(Arena *arena, uint32_t nargs, Type *args, Type *result,
                                  Error *err) {
    uint64_t length = (uint64_t)args[0].length + args[1].length;
    *result = type_char((uint32_t)length);
    if (length <= CHAR_MOST) return TRIB_OK;
    error_set(err, ERR_SYNTAX, "char(%u) || char(%u) is longer than a char can be", args[0].length,
              args[1].length);
    return error_hint(err, "Convert them with CAST(... AS varchar).");
}

static Status kernel_repeat(KernelCall *call) {
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        int64_t count = arg_int64(call, 1, row);
        uint64_t len;
        if (count < 0) count = 0;
        if (__builtin_mul_overflow((uint64_t)text.len, (uint64_t)count, &len)) len = UINT64_MAX;
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (uint64_t at = 0; at < len; at += text.len) memcpy(out + at, text.data, text.len);
        row_view(call, row, out, (size_t)len);
    });
    return TRIB_OK;
}

/* Characters in the opposite order, each with its bytes in place. */
static Status kernel_reverse(KernelCall *call) {
    char small[STRVIEW_INLINE];
    bool bytes = call->args[0].type.id == TRIB_TYPE_VARBINARY;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        char *out = row_text(call, row, text.len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (size_t at = 0; at < text.len;) {
            size_t start = at;
            if (bytes) {
                at++;
            } else {
                utf8_next(text.data, text.len, &at);
            }
            memcpy(out + text.len - at, text.data + start, at - start);
        }
        row_view(call, row, out, text.len);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- replace */

/* An empty search text stands between all characters, before the first and behind the last. */
static Status replace_between(KernelCall *call, uint32_t row, Str text, Str with) {
    char small[STRVIEW_INLINE];
    uint64_t len = text.len + (utf8_length(text.data, text.len) + 1) * (uint64_t)with.len;
    char *out = row_text(call, row, len, small);
    if (out == NULL) return row_text_failed(call, row);
    size_t written = 0;
    for (size_t at = 0;;) {
        memcpy(out + written, with.data, with.len);
        written += with.len;
        if (at >= text.len) break;
        size_t start = at;
        utf8_next(text.data, text.len, &at);
        memcpy(out + written, text.data + start, at - start);
        written += at - start;
    }
    row_view(call, row, out, written);
    return TRIB_OK;
}

static Status replace_row(KernelCall *call, uint32_t row, Str text, Str search, Str with) {
    char small[STRVIEW_INLINE];
    uint64_t found = 0;
    const char *end = text.data + text.len;
    for (const char *at = text.data;; found++) {
        at = text_find((Str){at, (size_t)(end - at)}, search);
        if (at == NULL) break;
        at += search.len;
    }
    if (found == 0) return kernel_put_text(call, row, text.data, text.len);
    uint64_t len = text.len - found * search.len + found * with.len;
    char *out = row_text(call, row, len, small), *to = out;
    if (out == NULL) return row_text_failed(call, row);
    for (const char *from = text.data;;) {
        const char *at = text_find((Str){from, (size_t)(end - from)}, search);
        size_t keep = (size_t)((at != NULL ? at : end) - from);
        memcpy(to, from, keep);
        to += keep;
        if (at == NULL) break;
        memcpy(to, with.data, with.len);
        to += with.len;
        from = at + search.len;
    }
    row_view(call, row, out, (size_t)len);
    return TRIB_OK;
}

static Status kernel_replace(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Str search = arg_text(call, 1, row);
        Str with = {"", 0};
        if (call->nargs == 3) with = arg_text(call, 2, row);
        if (search.len == 0) {
            TRY(replace_between(call, row, text, with));
        } else {
            TRY(replace_row(call, row, text, search, with));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- padding */

/* What counts as one: bytes, or characters. */
static uint64_t units_in(Str text, bool bytes) {
    return bytes ? text.len : utf8_length(text.data, text.len);
}

static size_t units_offset(Str text, bool bytes, uint64_t units) {
    return bytes ? (size_t)units : utf8_offset(text.data, text.len, (size_t)units);
}

/* Bytes of so many fillings and the first rest_bytes of another one. */
static uint64_t filling_bytes(Str fill, uint64_t whole, size_t rest_bytes) {
    uint64_t bytes;
    bool overflow = __builtin_mul_overflow(whole, (uint64_t)fill.len, &bytes) ||
                    __builtin_add_overflow(bytes, (uint64_t)rest_bytes, &bytes);
    return overflow ? UINT64_MAX : bytes;
}

static void filling_write(Str fill, uint64_t whole, size_t rest_bytes, char *out) {
    for (uint64_t i = 0; i < whole; i++) memcpy(out + i * fill.len, fill.data, fill.len);
    memcpy(out + whole * fill.len, fill.data, rest_bytes);
}

static Status pad_row(KernelCall *call, uint32_t row, bool left) {
    char small[STRVIEW_INLINE];
    bool binary = call->args[0].type.id == TRIB_TYPE_VARBINARY;
    Str text = arg_text(call, 0, row);
    int64_t size = arg_int64(call, 1, row);
    Str fill = STR(" ");
    if (call->nargs == 3) fill = arg_text(call, 2, row);
    if (size < 0 || size > INT32_MAX || fill.len == 0) {
        row_error(call, row, ERR_INVALID_ARGUMENT);
        return TRIB_OK;
    }
    uint64_t length = units_in(text, binary);
    if ((uint64_t)size <= length) {
        return kernel_put_text(call, row, text.data, units_offset(text, binary, (uint64_t)size));
    }
    uint64_t count = (uint64_t)size - length, of_fill = units_in(fill, binary);
    uint64_t whole = count / of_fill, len;
    size_t rest_bytes = units_offset(fill, binary, count % of_fill);
    uint64_t bytes = filling_bytes(fill, whole, rest_bytes);
    if (__builtin_add_overflow(bytes, (uint64_t)text.len, &len)) len = UINT64_MAX;
    char *out = row_text(call, row, len, small);
    if (out == NULL) return row_text_failed(call, row);
    memcpy(out + (left ? bytes : 0), text.data, text.len);
    filling_write(fill, whole, rest_bytes, out + (left ? 0 : text.len));
    row_view(call, row, out, (size_t)len);
    return TRIB_OK;
}

static Status kernel_lpad(KernelCall *call) {
    KERNEL_ROWS(call, row, { TRY(pad_row(call, row, true)); });
    return TRIB_OK;
}

static Status kernel_rpad(KernelCall *call) {
    KERNEL_ROWS(call, row, { TRY(pad_row(call, row, false)); });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- characters */

static Status kernel_chr(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t code = arg_int64(call, 0, row);
        char bytes[4];
        size_t len = code >= 0 && code <= 0x10ffff ? utf8_put(bytes, (uint32_t)code) : 0;
        row_view(call, row, bytes, len);
        if (len == 0) row_error(call, row, ERR_INVALID_ARGUMENT);
    });
    return TRIB_OK;
}

static Status kernel_codepoint(KernelCall *call) {
    int32_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        size_t at = 0;
        out[row] = text.len > 0 ? utf8_next(text.data, text.len, &at) : -1;
        if (out[row] < 0 || at != text.len) row_error(call, row, ERR_INVALID_ARGUMENT);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define TEXT(ID, SIGNATURE, RAISES, HELP)                                             \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = kernel_##ID, .family = "text", .help = HELP                         \
    }

static const char help_lpad[] =
    "Filled up at the start to n characters (with blanks or the given text), or cut to n.";
static const char help_rpad[] =
    "Filled up at the end to n characters (with blanks or the given text), or cut to n.";
static const char help_replace[] = "With all occurrences of a text replaced, or removed.";

/* Text that grows may pass MaxValueSize; only where arguments multiply lengths that counts as
 * raising, because no join of stored values comes near it. */
static const Function rows[] = {
    TEXT(concat, "varchar, varchar... -> varchar", false, "The texts one after the other."),
    TEXT(concat, "varbinary, varbinary... -> varbinary", false, "The bytes one after the other."),
    {.id = TRIB_FN_concat,
     .name = "concat",
     .signature = "char, char -> *",
     .kernel = kernel_concat_char,
     .resolve = resolve_concat_char,
     .family = "text",
     .help = "The first text filled up to its length, and the second."},
    {.id = TRIB_FN_repeat, /* repeat() makes arrays */
     .name = "repeat_text",
     .signature = "varchar, bigint -> varchar",
     .may_raise = true,
     .kernel = kernel_repeat,
     .family = "text",
     .help = "The text n times: {fn REPEAT(text, n)}."},
    TEXT(reverse, "V -> V", false, "The characters in the opposite order."),
    TEXT(reverse, "varbinary -> varbinary", false, "The bytes in the opposite order."),
    TEXT(replace, "varchar, varchar -> varchar", false, help_replace),
    TEXT(replace, "varchar, varchar, varchar -> varchar", false, help_replace),
    TEXT(lpad, "varchar, bigint -> varchar", true, help_lpad),
    TEXT(lpad, "varchar, bigint, varchar -> varchar", true, help_lpad),
    TEXT(lpad, "varbinary, bigint, varbinary -> varbinary", true, help_lpad),
    TEXT(rpad, "varchar, bigint -> varchar", true, help_rpad),
    TEXT(rpad, "varchar, bigint, varchar -> varchar", true, help_rpad),
    TEXT(rpad, "varbinary, bigint, varbinary -> varbinary", true, help_rpad),
    TEXT(chr, "bigint -> varchar", true, "The character of a Unicode code point."),
    TEXT(codepoint, "varchar -> integer", true, "The Unicode code point of the only character."),
};

FUNCTION_TABLE(functions_text_edit, rows);
