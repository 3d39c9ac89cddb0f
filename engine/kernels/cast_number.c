/*
 * cast_number.c - casts among boolean, integers, real, double and decimals.
 *
 * Integers and floating point have a loop per pair of types. Decimals have fast loops where the type
 * of the result says that nothing can be lost; all else goes row by row through Int128.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/arithmetic.h"
#include "engine/kernels/cast.h"

#include <math.h>

#define MARK_RANGE(call, F, bad)                                     \
    KERNEL_ROWS(call, row, {                                         \
        F x = KERNEL_ARG(call, 0, F, row);                           \
        if (bad) call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE); \
    })

#define INT_TO_INT(F_NAME, F, T_NAME, T)                               \
    static Status F_NAME##_to_##T_NAME(KernelCall *call) {             \
        uint8_t acc = 0;                                               \
        LOOP_UNARY(call, F, T, T r = (T)x; acc |= (uint8_t)(r != x);); \
        if (acc) MARK_RANGE(call, F, (T)x != x);                       \
        return TRIB_OK;                                                \
    }

#define ANY_TO_FLOATING(F_NAME, F, T_NAME, T)              \
    static Status F_NAME##_to_##T_NAME(KernelCall *call) { \
        LOOP_UNARY(call, F, T, T r = (T)x;);               \
        return TRIB_OK;                                    \
    }

/* round() goes half away from zero; -(double)MIN is the first value too large. NaN fails the test. */
#define FLOATING_TO_INT(F_NAME, F, T_NAME, T, MIN)                                             \
    static Status F_NAME##_to_##T_NAME(KernelCall *call) {                                     \
        uint8_t acc = 0;                                                                       \
        LOOP_UNARY(call, F, T, double y = round((double)x);                                    \
                   bool fits = y >= (double)MIN && y < -(double)MIN; acc |= !fits;             \
                   T r = fits ? (T)y : 0;);                                                    \
        if (acc) {                                                                             \
            MARK_RANGE(call, F,                                                                \
                       !(round((double)x) >= (double)MIN && round((double)x) < -(double)MIN)); \
        }                                                                                      \
        return TRIB_OK;                                                                        \
    }

#define FROM_INT(F_NAME, F)                  \
    INT_TO_INT(F_NAME, F, int8, int8_t)      \
    INT_TO_INT(F_NAME, F, int16, int16_t)    \
    INT_TO_INT(F_NAME, F, int32, int32_t)    \
    INT_TO_INT(F_NAME, F, int64, int64_t)    \
    ANY_TO_FLOATING(F_NAME, F, float, float) \
    ANY_TO_FLOATING(F_NAME, F, double, double)

#define FROM_FLOATING(F_NAME, F)                          \
    FLOATING_TO_INT(F_NAME, F, int8, int8_t, INT8_MIN)    \
    FLOATING_TO_INT(F_NAME, F, int16, int16_t, INT16_MIN) \
    FLOATING_TO_INT(F_NAME, F, int32, int32_t, INT32_MIN) \
    FLOATING_TO_INT(F_NAME, F, int64, int64_t, INT64_MIN) \
    ANY_TO_FLOATING(F_NAME, F, float, float)              \
    ANY_TO_FLOATING(F_NAME, F, double, double)

FROM_INT(int8, int8_t)
FROM_INT(int16, int16_t)
FROM_INT(int32, int32_t)
FROM_INT(int64, int64_t)
FROM_FLOATING(float, float)
FROM_FLOATING(double, double)

#define CAST_ROW(F_NAME)                                                      \
    {                                                                         \
        [PHYS_INT8] = F_NAME##_to_int8, [PHYS_INT16] = F_NAME##_to_int16,     \
        [PHYS_INT32] = F_NAME##_to_int32, [PHYS_INT64] = F_NAME##_to_int64,   \
        [PHYS_FLOAT] = F_NAME##_to_float, [PHYS_DOUBLE] = F_NAME##_to_double, \
    }

static const Kernel plain_casts[PHYS_COUNT][PHYS_COUNT] = {
    [PHYS_INT8] = CAST_ROW(int8),   [PHYS_INT16] = CAST_ROW(int16),
    [PHYS_INT32] = CAST_ROW(int32), [PHYS_INT64] = CAST_ROW(int64),
    [PHYS_FLOAT] = CAST_ROW(float), [PHYS_DOUBLE] = CAST_ROW(double),
};

/* ---------------------------------------------------------------- row by row */

static Int128 integer_at(const Vector *v, uint32_t row) {
    if (v->form == VECTOR_CONSTANT) row = 0;
    switch (v->physical) {
    case PHYS_BOOL: return ((const uint8_t *)v->data)[row] != 0;
    case PHYS_INT8: return ((const int8_t *)v->data)[row];
    case PHYS_INT16: return ((const int16_t *)v->data)[row];
    case PHYS_INT32: return ((const int32_t *)v->data)[row];
    case PHYS_INT64: return ((const int64_t *)v->data)[row];
    default: return ((const Int128 *)v->data)[row];
    }
}

static double real_at(const Vector *v, uint32_t row) {
    if (v->form == VECTOR_CONSTANT) row = 0;
    return v->physical == PHYS_FLOAT ? (double)((const float *)v->data)[row]
                                     : ((const double *)v->data)[row];
}

/* false if the value does not fit. */
static bool integer_put(Vector *v, uint32_t row, Int128 value) {
    switch (v->physical) {
    case PHYS_INT8: ((int8_t *)v->data)[row] = (int8_t)value; return value == (int8_t)value;
    case PHYS_INT16: ((int16_t *)v->data)[row] = (int16_t)value; return value == (int16_t)value;
    case PHYS_INT32: ((int32_t *)v->data)[row] = (int32_t)value; return value == (int32_t)value;
    default: ((int64_t *)v->data)[row] = (int64_t)value; return value == (int64_t)value;
    }
}

static bool is_floating(Type t) {
    return t.id == TRIB_TYPE_REAL || t.id == TRIB_TYPE_DOUBLE;
}

static Status any_to_boolean(KernelCall *call) {
    uint8_t *out = call->result->data;
    const Vector *v = &call->args[0];
    KERNEL_ROWS(call, row, {
        out[row] = is_floating(v->type) ? real_at(v, row) != 0 : integer_at(v, row) != 0;
    });
    return TRIB_OK;
}

static Status boolean_to_number(KernelCall *call) {
    Type to = call->result_type;
    Int128 one = to.id == TRIB_TYPE_DECIMAL ? decimal_powers[to.scale] : 1;
    KERNEL_ROWS(call, row, {
        bool x = KERNEL_ARG(call, 0, uint8_t, row);
        switch (call->result->physical) {
        case PHYS_FLOAT: ((float *)call->result->data)[row] = x; break;
        case PHYS_DOUBLE: ((double *)call->result->data)[row] = x; break;
        case PHYS_INT128: ((Int128 *)call->result->data)[row] = x ? one : 0; break;
        default: integer_put(call->result, row, x ? one : 0);
        }
        if (x && to.id == TRIB_TYPE_DECIMAL && !decimal_fits(one, to.precision)) {
            call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- decimals */

#define SCALE_LOOP(NAME, F, T, U)                                \
    KERNEL_CLONES static void NAME(KernelCall *call, T factor) { \
        LOOP_UNARY(call, F, T, T r = (T)((U)x * (U)factor););    \
    }

SCALE_LOOP(scale_8_64, int8_t, int64_t, uint64_t)
SCALE_LOOP(scale_16_64, int16_t, int64_t, uint64_t)
SCALE_LOOP(scale_32_64, int32_t, int64_t, uint64_t)
SCALE_LOOP(scale_64_64, int64_t, int64_t, uint64_t)
SCALE_LOOP(scale_64_128, int64_t, Int128, UInt128)
SCALE_LOOP(scale_128_128, Int128, Int128, UInt128)

/* Integers and decimals to a decimal that holds every value of the source: one multiplication. */
static bool decimal_scale_up(KernelCall *call, int raise) {
    PhysicalType from = (PhysicalType)call->args[0].physical;
    if (raise < 0 || type_cast_may_raise(call->args[0].type, call->result_type)) return false;
    Int128 factor = decimal_powers[raise];
    if (call->result->physical == PHYS_INT64) {
        switch (from) {
        case PHYS_INT8: scale_8_64(call, (int64_t)factor); return true;
        case PHYS_INT16: scale_16_64(call, (int64_t)factor); return true;
        case PHYS_INT32: scale_32_64(call, (int64_t)factor); return true;
        case PHYS_INT64: scale_64_64(call, (int64_t)factor); return true;
        default: return false;
        }
    }
    if (from == PHYS_INT64) scale_64_128(call, factor);
    if (from == PHYS_INT128) scale_128_128(call, factor);
    return from == PHYS_INT64 || from == PHYS_INT128;
}

/* value * 10^raise, or / 10^-raise half away from zero, within 64 bits; false if it does not fit. */
static inline bool rescale_small(int64_t value, int raise, int64_t factor, int64_t *out) {
    if (raise >= 0) return !__builtin_mul_overflow(value, factor, out);
    int64_t quotient = value / factor, rest = value % factor;
    quotient += (rest >= factor - factor / 2) - (rest <= factor / 2 - factor);
    *out = quotient;
    return true;
}

/* Decimals of up to 18 digits among each other. */
static Status small_to_small(KernelCall *call) {
    Type to = call->result_type;
    int raise = to.scale - call->args[0].type.scale;
    int64_t factor = (int64_t)decimal_powers[raise < 0 ? -raise : raise];
    int64_t limit = (int64_t)decimal_powers[to.precision];
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t value = 0;
        bool fits = rescale_small(KERNEL_ARG(call, 0, int64_t, row), raise, factor, &value);
        if (!fits || value >= limit || value <= -limit) {
            call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
        }
        out[row] = value;
    });
    return TRIB_OK;
}

static Status exact_to_decimal(KernelCall *call) {
    const Vector *v = &call->args[0];
    Type to = call->result_type;
    int scale = v->type.id == TRIB_TYPE_DECIMAL ? v->type.scale : 0;
    if (decimal_scale_up(call, to.scale - scale)) return TRIB_OK;
    if (v->type.id == TRIB_TYPE_DECIMAL && v->physical == PHYS_INT64 &&
        call->result->physical == PHYS_INT64) {
        return small_to_small(call);
    }
    KERNEL_ROWS(call, row, {
        Int128 value = 0;
        DecimalResult result = decimal_rescale(integer_at(v, row), scale, to.scale, &value);
        bool fits = result == DECIMAL_OK && decimal_fits(value, to.precision);
        if (!fits) call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
        decimal_put(call->result, row, fits ? value : 0);
    });
    return TRIB_OK;
}

static Status floating_to_decimal(KernelCall *call) {
    const Vector *v = &call->args[0];
    Type to = call->result_type;
    KERNEL_ROWS(call, row, {
        Int128 value = 0;
        if (decimal_from_double(real_at(v, row), to.precision, to.scale, &value) != DECIMAL_OK) {
            call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
        }
        decimal_put(call->result, row, value);
    });
    return TRIB_OK;
}

static Status decimal_to_integer(KernelCall *call) {
    const Vector *v = &call->args[0];
    if (v->physical == PHYS_INT64) {
        int raise = -v->type.scale;
        int64_t factor = (int64_t)decimal_powers[v->type.scale];
        KERNEL_ROWS(call, row, {
            int64_t value = 0;
            rescale_small(KERNEL_ARG(call, 0, int64_t, row), raise, factor, &value);
            if (!integer_put(call->result, row, value)) {
                call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
            }
        });
        return TRIB_OK;
    }
    KERNEL_ROWS(call, row, {
        Int128 value = 0;
        bool fits = decimal_rescale(decimal_at(v, row), v->type.scale, 0, &value) == DECIMAL_OK;
        if (!integer_put(call->result, row, value) || !fits) {
            call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);
        }
    });
    return TRIB_OK;
}

/* An integer below 2^53 divided by a power of ten below 10^23: both exact, so one rounding. */
static inline double decimal_real(Int128 value, int scale, double divisor) {
    if (scale <= 22 && value < (INT64_C(1) << 53) && value > -(INT64_C(1) << 53)) {
        return (double)(int64_t)value / divisor;
    }
    return decimal_to_double(value, scale);
}

static Status decimal_to_floating(KernelCall *call) {
    const Vector *v = &call->args[0];
    int scale = v->type.scale;
    double divisor = decimal_to_double(decimal_powers[scale], 0);
    bool single = call->result->physical == PHYS_FLOAT;
    KERNEL_ROWS(call, row, {
        double value = decimal_real(decimal_at(v, row), scale, divisor);
        if (single) {
            ((float *)call->result->data)[row] = (float)value;
        } else {
            ((double *)call->result->data)[row] = value;
        }
    });
    return TRIB_OK;
}

Kernel cast_number_kernel(Type from, Type to) {
    if (to.id == TRIB_TYPE_BOOLEAN) return any_to_boolean;
    if (from.id == TRIB_TYPE_BOOLEAN) return boolean_to_number;
    if (to.id == TRIB_TYPE_DECIMAL) {
        return is_floating(from) ? floating_to_decimal : exact_to_decimal;
    }
    if (from.id == TRIB_TYPE_DECIMAL) {
        return is_floating(to) ? decimal_to_floating : decimal_to_integer;
    }
    return plain_casts[type_physical(from)][type_physical(to)];
}
