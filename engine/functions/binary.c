/*
 * binary.c - rows and kernels of varbinary: hexadecimal and UTF-8.
 */
#include "engine/functions/helpers.h"

static Status kernel_to_hex(KernelCall *call) {
    static const char digits[] = "0123456789ABCDEF";
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        char *out = row_text(call, row, bytes.len * (uint64_t)2, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (size_t i = 0; i < bytes.len; i++) {
            out[i * 2] = digits[(uint8_t)bytes.data[i] >> 4];
            out[i * 2 + 1] = digits[(uint8_t)bytes.data[i] & 15];
        }
        row_view(call, row, out, bytes.len * 2);
    });
    return TRIB_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static Status kernel_from_hex(KernelCall *call) {
    char small[STRVIEW_INLINE];
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        size_t len = text.len / 2;
        bool good = text.len % 2 == 0;
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        for (size_t i = 0; i < len && good; i++) {
            int high = hex_digit(text.data[i * 2]);
            int low = hex_digit(text.data[i * 2 + 1]);
            good = high >= 0 && low >= 0;
            out[i] = (char)(high * 16 + low);
        }
        if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
        row_view(call, row, out, good ? len : 0);
    });
    return TRIB_OK;
}

static Status kernel_to_utf8(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        row_view(call, row, text.data, text.len);
    });
    return TRIB_OK;
}

/* The bytes of an invalid sequence that stand for one replacement: the longest part of a character that is
 * begun rightly, or one byte (the Unicode standard's "maximal subparts", as Trino has it). */
static size_t utf8_bad_length(const char *data, size_t len) {
    const uint8_t *u = (const uint8_t *)data;
    size_t wanted = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2, good = 1;
    uint8_t low = 0x80, high = 0xbf;
    if (u[0] < 0xc2 || u[0] > 0xf4) return 1;
    if (u[0] == 0xe0) low = 0xa0;
    if (u[0] == 0xed) high = 0x9f;
    if (u[0] == 0xf0) low = 0x90;
    if (u[0] == 0xf4) high = 0x8f;
    while (good < wanted && good < len && u[good] >= low && u[good] <= high) {
        good++;
        low = 0x80;
        high = 0xbf;
    }
    return good;
}

static Status utf8_repair(KernelCall *call, uint32_t row, Str bytes, Str other) {
    uint64_t most = bytes.len * (uint64_t)(other.len > 1 ? other.len : 1);
    char *out = kernel_text(call, row, most);
    size_t written = 0;
    if (out == NULL) return row_text_failed(call, row);
    for (size_t at = 0; at < bytes.len;) {
        size_t start = at;
        if (utf8_next(bytes.data, bytes.len, &at) >= 0) {
            memcpy(out + written, bytes.data + start, at - start);
            written += at - start;
        } else {
            at = start + utf8_bad_length(bytes.data + start, bytes.len - start);
            memcpy(out + written, other.data, other.len);
            written += other.len;
        }
    }
    row_view(call, row, out, written);
    return TRIB_OK;
}

/* What stands for wrong bytes: nothing, one character, or the character of a code point. */
static bool utf8_replacement(const KernelCall *call, uint32_t row, char own[4], Str *out) {
    *out = STR("\xef\xbf\xbd");
    if (call->nargs == 1) return true;
    if (call->args[1].physical == PHYS_STRING) {
        *out = arg_text(call, 1, row);
        return out->len == 0 || utf8_length(out->data, out->len) == 1;
    }
    int64_t point = arg_int64(call, 1, row);
    *out = (Str){own, point >= 0 && point <= 0x10ffff ? utf8_put(own, (uint32_t)point) : 0};
    return out->len > 0;
}

static Status kernel_from_utf8(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        char own[4];
        Str other;
        if (!utf8_replacement(call, row, own, &other)) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
        } else if (utf8_valid(bytes.data, bytes.len)) {
            row_view(call, row, bytes.data, bytes.len);
        } else {
            TRY(utf8_repair(call, row, bytes, other));
        }
    });
    return TRIB_OK;
}

#define BINARY(ID, SIGNATURE, RAISES, HELP)                                           \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = kernel_##ID, .family = "binary", .help = HELP                       \
    }

static const char help_utf8[] =
    "The text that UTF-8 spells; wrong bytes become U+FFFD, or what the second argument says.";

static const Function rows[] = {
    BINARY(to_hex, "varbinary -> varchar", false, "The bytes as hexadecimal digits."),
    BINARY(from_hex, "varchar -> varbinary", true, "The bytes that hexadecimal digits spell."),
    BINARY(from_hex, "varbinary -> varbinary", true, "The bytes that hexadecimal digits spell."),
    BINARY(to_utf8, "varchar -> varbinary", false, "The text as UTF-8."),
    BINARY(from_utf8, "varbinary -> varchar", false, help_utf8),
    BINARY(from_utf8, "varbinary, varchar -> varchar", true, help_utf8),
    BINARY(from_utf8, "varbinary, bigint -> varchar", true, help_utf8),
};

FUNCTION_TABLE(functions_binary, rows);
