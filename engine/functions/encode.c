/*
 * encode.c - rows and kernels that write bytes as text and numbers as bytes: base64, base32, big-endian
 * integers, IEEE 754.
 *
 * Decoders accept what Java's and Guava's do: padding may be missing, but what stands there must be
 * right; anything that is not of the alphabet is an error.
 */
#include "engine/functions/helpers.h"

typedef struct Alphabet {
    const char *digits;
    int bits; /* per digit */
    int digits_of_group;
    int bytes_of_group;
} Alphabet;

static const Alphabet base64 = {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                                6, 4, 3};
static const Alphabet base64url = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6, 4, 3};
static const Alphabet base32 = {"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 5, 8, 5};

/* ---------------------------------------------------------------- writing */

static void encode(const Alphabet *a, Str bytes, char *out) {
    uint32_t mask = (1u << a->bits) - 1, held = 0, have = 0;
    size_t written = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        held = (held << 8) | (uint8_t)bytes.data[i];
        for (have += 8; have >= (uint32_t)a->bits;) {
            have -= (uint32_t)a->bits;
            out[written++] = a->digits[(held >> have) & mask];
        }
    }
    if (have > 0) out[written++] = a->digits[(held << ((uint32_t)a->bits - have)) & mask];
    while (written % (size_t)a->digits_of_group != 0) out[written++] = '=';
}

static Status encode_rows(KernelCall *call, const Alphabet *a) {
    char small[STRVIEW_INLINE];
    uint64_t group = (uint64_t)a->bytes_of_group;
    KERNEL_ROWS(call, row, {
        Str bytes = arg_text(call, 0, row);
        uint64_t len = (bytes.len + group - 1) / group * (uint64_t)a->digits_of_group;
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        encode(a, bytes, out);
        row_view(call, row, out, (size_t)len);
    });
    return TRIB_OK;
}

static Status kernel_to_base64(KernelCall *call) {
    return encode_rows(call, &base64);
}

static Status kernel_to_base64url(KernelCall *call) {
    return encode_rows(call, &base64url);
}

static Status kernel_to_base32(KernelCall *call) {
    return encode_rows(call, &base32);
}

/* ---------------------------------------------------------------- reading */

/* The value of each character, 0xff = not of the alphabet. */
static void alphabet_values(const Alphabet *a, uint8_t values[256]) {
    memset(values, 0xff, 256);
    for (int i = 0; i < 1 << a->bits; i++) values[(uint8_t)a->digits[i]] = (uint8_t)i;
}

/* Cuts the padding; false if it is wrong. strict: where there is some, it ends a whole group. */
static bool cut_padding(const Alphabet *a, Str *text, bool strict) {
    size_t group = (size_t)a->digits_of_group, len = text->len;
    while (len > 0 && text->data[len - 1] == '=') len--;
    size_t padding = text->len - len;
    text->len = len;
    /* bits that are left over must be fewer than a digit has: else the last digit stands for nothing */
    if (len % group * (size_t)a->bits % 8 >= (size_t)a->bits) return false;
    return padding == 0 || !strict || (padding < group && (len + padding) % group == 0);
}

static bool decode(const uint8_t values[256], int bits, Str text, char *out) {
    uint32_t held = 0, have = 0;
    size_t written = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t value = values[(uint8_t)text.data[i]];
        if (value == 0xff) return false;
        held = (held << bits) | value;
        have += (uint32_t)bits;
        if (have >= 8) {
            have -= 8;
            out[written++] = (char)(held >> have);
        }
    }
    return true;
}

static Status decode_rows(KernelCall *call, const Alphabet *a, bool strict) {
    char small[STRVIEW_INLINE];
    uint8_t values[256];
    alphabet_values(a, values);
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        bool good = cut_padding(a, &text, strict);
        size_t len = text.len / (size_t)a->digits_of_group * (size_t)a->bytes_of_group +
                     text.len % (size_t)a->digits_of_group * (size_t)a->bits / 8;
        char *out = row_text(call, row, len, small);
        if (out == NULL) {
            TRY(row_text_failed(call, row));
            continue;
        }
        good = good && decode(values, a->bits, text, out);
        if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
        row_view(call, row, out, good ? len : 0);
    });
    return TRIB_OK;
}

static Status kernel_from_base64(KernelCall *call) {
    return decode_rows(call, &base64, true);
}

static Status kernel_from_base64url(KernelCall *call) {
    return decode_rows(call, &base64url, true);
}

/* Guava cuts any padding. */
static Status kernel_from_base32(KernelCall *call) {
    return decode_rows(call, &base32, false);
}

/* ---------------------------------------------------------------- numbers */

static void put_big_endian(KernelCall *call, uint32_t row, uint64_t x, size_t bytes) {
    char out[8];
    for (size_t i = 0; i < bytes; i++) out[i] = (char)(x >> (8 * (bytes - 1 - i)));
    row_view(call, row, out, bytes);
}

static Status kernel_to_bytes(KernelCall *call) {
    PhysicalType physical = (PhysicalType)call->args[0].physical;
    size_t bytes = physical_size(physical);
    KERNEL_ROWS(call, row, {
        uint64_t x;
        uint32_t half;
        switch (physical) {
        case PHYS_INT32: x = (uint32_t)KERNEL_ARG(call, 0, int32_t, row); break;
        case PHYS_INT64: x = (uint64_t)arg_int64(call, 0, row); break;
        case PHYS_FLOAT: {
            float value = KERNEL_ARG(call, 0, float, row);
            memcpy(&half, &value, sizeof(half));
            x = value != value ? 0x7fc00000 : half; /* every NaN is the same one */
            break;
        }
        default: {
            double value = KERNEL_ARG(call, 0, double, row);
            memcpy(&x, &value, sizeof(x));
            if (value != value) x = UINT64_C(0x7ff8000000000000);
        }
        }
        put_big_endian(call, row, x, bytes);
    });
    return TRIB_OK;
}

static Status kernel_from_bytes(KernelCall *call) {
    size_t bytes = physical_size((PhysicalType)call->result->physical);
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        uint64_t x = 0;
        if (text.len != bytes) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        for (size_t i = 0; i < bytes; i++) x = (x << 8) | (uint8_t)text.data[i];
        if (bytes == 4) {
            ((uint32_t *)call->result->data)[row] = (uint32_t)x;
        } else {
            ((uint64_t *)call->result->data)[row] = x;
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define ENCODE(ID, SIGNATURE, RAISES, KERNEL, HELP)                                   \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "binary", .help = HELP                            \
    }
#define DECODE(ID, HELP)                                         \
    ENCODE(ID, "varchar -> varbinary", true, kernel_##ID, HELP), \
        ENCODE(ID, "varbinary -> varbinary", true, kernel_##ID, HELP)

static const Function rows[] = {
    ENCODE(to_base64, "varbinary -> varchar", false, kernel_to_base64, "The bytes in base64."),
    DECODE(from_base64, "The bytes that base64 spells."),
    ENCODE(to_base64url, "varbinary -> varchar", false, kernel_to_base64url,
           "The bytes in base64 with - and _, for URLs."),
    DECODE(from_base64url, "The bytes that base64 for URLs spells."),
    ENCODE(to_base32, "varbinary -> varchar", false, kernel_to_base32, "The bytes in base32."),
    DECODE(from_base32, "The bytes that base32 spells."),
    ENCODE(to_big_endian_32, "integer -> varbinary", false, kernel_to_bytes,
           "The number as four bytes, the most significant first."),
    ENCODE(from_big_endian_32, "varbinary -> integer", true, kernel_from_bytes,
           "The number of four bytes, the most significant first."),
    ENCODE(to_big_endian_64, "bigint -> varbinary", false, kernel_to_bytes,
           "The number as eight bytes, the most significant first."),
    ENCODE(from_big_endian_64, "varbinary -> bigint", true, kernel_from_bytes,
           "The number of eight bytes, the most significant first."),
    ENCODE(to_ieee754_32, "real -> varbinary", false, kernel_to_bytes,
           "The number in IEEE 754's form of four bytes, the most significant first."),
    ENCODE(from_ieee754_32, "varbinary -> real", true, kernel_from_bytes,
           "The number of four bytes in IEEE 754's form."),
    ENCODE(to_ieee754_64, "double -> varbinary", false, kernel_to_bytes,
           "The number in IEEE 754's form of eight bytes, the most significant first."),
    ENCODE(from_ieee754_64, "varbinary -> double", true, kernel_from_bytes,
           "The number of eight bytes in IEEE 754's form."),
};

FUNCTION_TABLE(functions_encode, rows);
