/*
 * decimal_kernels.c - decimal arithmetic.
 *
 * Where the result type has room for every result (its precision was not capped at 38 digits), the
 * loops are plain integer arithmetic on int64 or Int128 without any test: that is the rule of the
 * types, not luck with the values. Otherwise each row is computed with 256-bit intermediates and
 * tested. Division by an int64 uses 64-bit hardware division where the scaled dividend fits.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/arithmetic.h"
#include "engine/types/type.h"

static int max_int(int a, int b) {
    return a > b ? a : b;
}

/* ---------------------------------------------------------------- + and - */

/* Unsigned, because rows that are NULL may hold anything. */
#define SUM_LOOP(NAME, TA, TB, TO, U)                                             \
    KERNEL_CLONES static void NAME(KernelCall *call, TO fa, TO fb) {              \
        LOOP_BINARY(call, TA, TB, TO, TO r = (TO)((U)x * (U)fa + (U)y * (U)fb);); \
    }

SUM_LOOP(sum_64_64_64, int64_t, int64_t, int64_t, uint64_t)
SUM_LOOP(sum_64_64_128, int64_t, int64_t, Int128, UInt128)
SUM_LOOP(sum_64_128_128, int64_t, Int128, Int128, UInt128)
SUM_LOOP(sum_128_64_128, Int128, int64_t, Int128, UInt128)
SUM_LOOP(sum_128_128_128, Int128, Int128, Int128, UInt128)

/* Multiplying 64-bit lanes by 1 is not free: the common case of equal scales has loops of its own. */
KERNEL_CLONES static void sum_plain(KernelCall *call) {
    LOOP_BINARY(call, int64_t, int64_t, int64_t, int64_t r = (int64_t)((uint64_t)x + (uint64_t)y););
}

KERNEL_CLONES static void difference_plain(KernelCall *call) {
    LOOP_BINARY(call, int64_t, int64_t, int64_t, int64_t r = (int64_t)((uint64_t)x - (uint64_t)y););
}

/* Rows are computed one by one where the result was capped at 38 digits. */
static void sum_checked(KernelCall *call, int sign) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    int scale = call->result_type.scale;
    KERNEL_ROWS(call, row, {
        Int128 x, y, sum = 0;
        DecimalResult result = decimal_rescale(decimal_at(a, row), a->type.scale, scale, &x);
        if (result == DECIMAL_OK) {
            result = decimal_rescale(decimal_at(b, row), b->type.scale, scale, &y);
        }
        if (result == DECIMAL_OK) result = decimal_add(x, sign < 0 ? -y : y, &sum);
        if (result == DECIMAL_OK && !decimal_fits(sum, call->result_type.precision)) {
            result = DECIMAL_OVERFLOW;
        }
        if (result != DECIMAL_OK) decimal_mark(call, row, result);
        decimal_put(call->result, row, sum);
    });
}

static Status decimal_sum(KernelCall *call, int sign) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    int scale = call->result_type.scale;
    int needed =
        max_int(a->type.precision - a->type.scale, b->type.precision - b->type.scale) + scale + 1;
    if (needed > DECIMAL_MAX_DIGITS) {
        sum_checked(call, sign);
        return TRIB_OK;
    }
    Int128 fa = decimal_powers[scale - a->type.scale];
    Int128 fb = decimal_powers[scale - b->type.scale] * sign;
    bool wide_a = a->physical == PHYS_INT128, wide_b = b->physical == PHYS_INT128;
    if (call->result->physical == PHYS_INT64) {
        if (fa == 1 && fb == 1) {
            sum_plain(call);
        } else if (fa == 1 && fb == -1) {
            difference_plain(call);
        } else {
            sum_64_64_64(call, (int64_t)fa, (int64_t)fb);
        }
    } else if (wide_a && wide_b) {
        sum_128_128_128(call, fa, fb);
    } else if (wide_a) {
        sum_128_64_128(call, fa, fb);
    } else if (wide_b) {
        sum_64_128_128(call, fa, fb);
    } else {
        sum_64_64_128(call, fa, fb);
    }
    return TRIB_OK;
}

Status kernel_decimal_add(KernelCall *call) {
    return decimal_sum(call, 1);
}

Status kernel_decimal_subtract(KernelCall *call) {
    return decimal_sum(call, -1);
}

/* ---------------------------------------------------------------- * */

#define PRODUCT_LOOP(NAME, TA, TB, TO, U)                         \
    static void NAME(KernelCall *call) {                          \
        LOOP_BINARY(call, TA, TB, TO, TO r = (TO)((U)x * (U)y);); \
    }

PRODUCT_LOOP(product_64_64_64, int64_t, int64_t, int64_t, uint64_t)
PRODUCT_LOOP(product_64_64_128, int64_t, int64_t, Int128, Int128)
PRODUCT_LOOP(product_64_128_128, int64_t, Int128, Int128, UInt128)
PRODUCT_LOOP(product_128_64_128, Int128, int64_t, Int128, UInt128)
PRODUCT_LOOP(product_128_128_128, Int128, Int128, Int128, UInt128)

/* Row by row, for factors beyond 64 bits. */
static void product_checked(KernelCall *call) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    KERNEL_ROWS(call, row, {
        Int128 product = 0;
        DecimalResult result =
            decimal_multiply(decimal_at(a, row), decimal_at(b, row), 0, &product);
        if (result != DECIMAL_OK) decimal_mark(call, row, result);
        decimal_put(call->result, row, product);
    });
}

/* Where the types would allow more than 38 digits, the values rarely do: two factors of 64 bits never
 * give more than 2^126 < 10^38. One factor beyond 64 bits sends the batch to the slow loop. */
#define PRODUCT_CAPPED(NAME, TA, TB)                                                      \
    static bool NAME(KernelCall *call) {                                                  \
        int64_t acc = 0;                                                                  \
        LOOP_BINARY(call, TA, TB, Int128, int64_t p = (int64_t)x; int64_t q = (int64_t)y; \
                    acc |= (x != p) | (y != q); Int128 r = (Int128)p * q;);               \
        return acc == 0;                                                                  \
    }

PRODUCT_CAPPED(product_small_64_128, int64_t, Int128)
PRODUCT_CAPPED(product_small_128_64, Int128, int64_t)
PRODUCT_CAPPED(product_small_128_128, Int128, Int128)

static void product_capped(KernelCall *call, bool wide_a, bool wide_b) {
    bool done = false;
    if (wide_a && wide_b) {
        done = product_small_128_128(call);
    } else if (wide_a) {
        done = product_small_128_64(call);
    } else if (wide_b) {
        done = product_small_64_128(call);
    }
    if (!done) product_checked(call);
}

Status kernel_decimal_multiply(KernelCall *call) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    bool wide_a = a->physical == PHYS_INT128, wide_b = b->physical == PHYS_INT128;
    if (a->type.precision + b->type.precision > DECIMAL_MAX_DIGITS) {
        product_capped(call, wide_a, wide_b);
    } else if (call->result->physical == PHYS_INT64) {
        product_64_64_64(call);
    } else if (wide_a && wide_b) {
        product_128_128_128(call);
    } else if (wide_a) {
        product_128_64_128(call);
    } else if (wide_b) {
        product_64_128_128(call);
    } else {
        product_64_64_128(call);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- / and % */

/* x * factor / y, half away from zero, in 64 bits; false if that does not fit. */
static inline bool quotient_small(Int128 x, Int128 y, Int128 factor, Int128 *out) {
    int64_t dividend, divisor = (int64_t)y;
    if (x != (int64_t)x || y != divisor || factor != (int64_t)factor || divisor == INT64_MIN) {
        return false;
    }
    if (__builtin_mul_overflow((int64_t)x, (int64_t)factor, &dividend) || dividend == INT64_MIN) {
        return false;
    }
    int64_t quotient = dividend / divisor, rest = dividend % divisor;
    uint64_t size = (uint64_t)(divisor < 0 ? -divisor : divisor);
    if ((uint64_t)(rest < 0 ? -rest : rest) >= size - size / 2) {
        quotient += (dividend < 0) == (divisor < 0) ? 1 : -1;
    }
    *out = quotient;
    return true;
}

Status kernel_decimal_divide(KernelCall *call) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    /* (x / 10^sa) / (y / 10^sb) at scale s = x * 10^(s - sa + sb) / y; the exponent is never < 0 */
    int raise = call->result_type.scale - a->type.scale + b->type.scale;
    Int128 factor = raise <= DECIMAL_MAX_DIGITS ? decimal_powers[raise] : 0;
    KERNEL_ROWS(call, row, {
        Int128 x = decimal_at(a, row);
        Int128 y = decimal_at(b, row);
        Int128 quotient = 0;
        DecimalResult result = DECIMAL_OK;
        if (y == 0) {
            result = DECIMAL_DIVIDE_BY_ZERO;
        } else if (factor == 0 || !quotient_small(x, y, factor, &quotient)) {
            result = decimal_divide(x, y, raise, &quotient);
        }
        if (result == DECIMAL_OK && !decimal_fits(quotient, call->result_type.precision)) {
            result = DECIMAL_OVERFLOW;
        }
        if (result != DECIMAL_OK) decimal_mark(call, row, result);
        decimal_put(call->result, row, quotient);
    });
    return TRIB_OK;
}

Status kernel_decimal_modulus(KernelCall *call) {
    const Vector *a = &call->args[0], *b = &call->args[1];
    KERNEL_ROWS(call, row, {
        Int128 rest = 0;
        DecimalResult result = decimal_modulus(decimal_at(a, row), a->type.scale,
                                               decimal_at(b, row), b->type.scale, &rest);
        if (result != DECIMAL_OK) decimal_mark(call, row, result);
        decimal_put(call->result, row, result == DECIMAL_OK ? rest : 0);
    });
    return TRIB_OK;
}
