/*
 * bits.c - rows and kernels that look at numbers as bits and digits: shifts, bit counts, number bases,
 * buckets of a histogram.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/helpers.h"
#include "engine/base/number.h"

#include <math.h>

/* ---------------------------------------------------------------- shifts */

/* Shifts by the width of the type and more push everything out; negative ones count from the width, as the
 * shifts of Java do. */
#define SHIFT_LEFT(T, U)                              \
    LOOP_BINARY(call, T, int64_t, T, T r = 0;         \
                if (y < (int64_t)(sizeof(T) * 8)) r = \
                    (T)((uint64_t)(U)x << (y & (sizeof(U) == 8 ? 63 : 31)));)
#define SHIFT_RIGHT(T, U)                                                           \
    LOOP_BINARY(call, T, int64_t, T, T r = 0; if (y < (int64_t)(sizeof(T) * 8)) r = \
                                                  (T)((U)x >> (y & (sizeof(T) == 8 ? 63 : 31)));)
#define SHIFT_ARITHMETIC(T, U)                                        \
    LOOP_BINARY(                                                      \
        call, T, int64_t, T, int64_t bits = (int64_t)(sizeof(T) * 8); \
        T r = (T)(y >= bits ? (x < 0 ? -1 : 0) : (int64_t)x >> (y & (sizeof(T) == 8 ? 63 : 31)));)

#define SHIFT_KERNEL(ID, SHIFT)                                    \
    static Status kernel_##ID(KernelCall *call) {                  \
        switch (call->args[0].physical) {                          \
        case PHYS_INT8: SHIFT(int8_t, uint8_t); return TRIB_OK;    \
        case PHYS_INT16: SHIFT(int16_t, uint16_t); return TRIB_OK; \
        case PHYS_INT32: SHIFT(int32_t, uint32_t); return TRIB_OK; \
        default: SHIFT(int64_t, uint64_t); return TRIB_OK;         \
        }                                                          \
    }

SHIFT_KERNEL(bitwise_left_shift, SHIFT_LEFT)
SHIFT_KERNEL(bitwise_right_shift, SHIFT_RIGHT)
SHIFT_KERNEL(bitwise_right_shift_arithmetic, SHIFT_ARITHMETIC)

/* The number of ones in the two's complement of so many bits, into which the number must fit. */
static Status kernel_bit_count(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t x = arg_int64(call, 0, row);
        int64_t bits = arg_int64(call, 1, row);
        out[row] = 0;
        if (bits < 2 || bits > 64) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        uint64_t mask = UINT64_MAX >> (64 - bits);
        int64_t high = (int64_t)(mask >> 1);
        if (x > high || x < -high - 1) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        out[row] = __builtin_popcountll((uint64_t)x & mask);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- number bases */

static int digit_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 36;
}

static bool parse_base(Str text, int64_t base, int64_t *out) {
    bool negative = text.len > 0 && text.data[0] == '-';
    size_t at = text.len > 0 && (negative || text.data[0] == '+') ? 1 : 0;
    if (at == text.len) return false;
    *out = 0;
    for (; at < text.len; at++) { /* downwards, because the least number has no positive one */
        int digit = digit_value(text.data[at]);
        if (digit >= base || __builtin_mul_overflow(*out, base, out) ||
            __builtin_sub_overflow(*out, digit, out))
            return false;
    }
    return negative || !__builtin_sub_overflow(INT64_C(0), *out, out);
}

static Status kernel_from_base(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t base = arg_int64(call, 1, row);
        if (base < 2 || base > 36 || !parse_base(arg_text(call, 0, row), base, &out[row])) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
        }
    });
    return TRIB_OK;
}

static Status kernel_to_base(KernelCall *call) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    KERNEL_ROWS(call, row, {
        int64_t x = arg_int64(call, 0, row);
        int64_t base = arg_int64(call, 1, row);
        char out[65];
        size_t at = sizeof(out);
        if (base < 2 || base > 36) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        uint64_t left = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
        do {
            out[--at] = digits[left % (uint64_t)base];
            left /= (uint64_t)base;
        } while (left > 0);
        if (x < 0) out[--at] = '-';
        TRY(kernel_put_text(call, row, out + at, sizeof(out) - at));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- width_bucket */

/* false: the arguments make no buckets, or the bucket's number is none. */
static bool bucket_of(double x, double from, double to, int64_t count, int64_t *out) {
    if (count <= 0 || isnan(x) || !isfinite(from) || !isfinite(to) || from == to) return false;
    double low = from < to ? from : to, high = from < to ? to : from;
    if (x < low) {
        *out = 0;
    } else if (x >= high) {
        if (__builtin_add_overflow(count, 1, out)) return false;
    } else {
        double bucket = (double)count * (x - low) / (high - low) + 1;
        *out = bucket < (double)count ? (int64_t)bucket : count;
    }
    return from < to || !__builtin_add_overflow(count - *out, 1, out);
}

static Status kernel_width_bucket(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        bool good = bucket_of(KERNEL_ARG(call, 0, double, row), KERNEL_ARG(call, 1, double, row),
                              KERNEL_ARG(call, 2, double, row), arg_int64(call, 3, row), &out[row]);
        if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
    });
    return TRIB_OK;
}

/* The number of bounds that are not greater, by bisection; false if they are out of order on the way. */
static bool bucket_among(const Vector *bins, ListEntry list, double x, int64_t *out) {
    uint32_t low = 0, high = list.length;
    if (isnan(x) || list.length == 0) return false;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t at = list.offset + (i == 0 ? low : i == 1 ? middle : high - 1);
            if (vector_is_null(bins, at) || !isfinite(*(const double *)vector_at(bins, at)))
                return false;
        }
        double first = *(const double *)vector_at(bins, list.offset + low);
        double last = *(const double *)vector_at(bins, list.offset + high - 1);
        if (first > last) return false;
        if (x < *(const double *)vector_at(bins, list.offset + middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    *out = low;
    return true;
}

static Status kernel_width_bucket_array(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        double x = KERNEL_ARG(call, 0, double, row);
        ListEntry list = KERNEL_ARG(call, 1, ListEntry, row);
        if (!bucket_among(&call->args[1].children[0], list, x, &out[row])) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define BITS(ID, SIGNATURE, RAISES, KERNEL, HELP)                                     \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "math", .help = HELP                              \
    }
#define SHIFT_ROWS(ID, HELP)                                                \
    BITS(ID, "bigint, bigint -> bigint", false, kernel_##ID, HELP),         \
        BITS(ID, "integer, bigint -> integer", false, kernel_##ID, HELP),   \
        BITS(ID, "smallint, bigint -> smallint", false, kernel_##ID, HELP), \
        BITS(ID, "tinyint, bigint -> tinyint", false, kernel_##ID, HELP)

static const Function rows[] = {
    SHIFT_ROWS(bitwise_left_shift, "The bits moved to the left."),
    SHIFT_ROWS(bitwise_right_shift, "The bits moved to the right, zeros coming in."),
    SHIFT_ROWS(bitwise_right_shift_arithmetic, "The bits moved to the right, the sign coming in."),
    BITS(bit_count, "bigint, bigint -> bigint", true, kernel_bit_count,
         "The number of ones in the two's complement of so many bits."),
    BITS(from_base, "varchar, bigint -> bigint", true, kernel_from_base,
         "The number that digits of a base spell."),
    BITS(to_base, "bigint, bigint -> varchar", true, kernel_to_base,
         "The digits of a number in a base of 2 to 36."),
    BITS(width_bucket, "double, double, double, bigint -> bigint", true, kernel_width_bucket,
         "The bucket of a number, of n equally wide ones between two bounds."),
    BITS(width_bucket, "double, array(double) -> bigint", true, kernel_width_bucket_array,
         "The bucket of a number among ascending bounds."),
};

FUNCTION_TABLE(functions_bits, rows);
