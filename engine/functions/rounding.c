/*
 * rounding.c - round, truncate, floor, ceiling for every numeric type.
 *
 * round goes half away from zero. A number of digits may be negative: hundreds, thousands. Types of
 * decimal results are Trino's.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/helpers.h"
#include "engine/kernels/arithmetic.h"

#include <math.h>

typedef enum { ROUND_HALF, ROUND_CUT, ROUND_DOWN, ROUND_UP } Rounding;

/* ---------------------------------------------------------------- integers */

/* value to a multiple of unit (> 0); false on overflow. */
static bool round_integer(Int128 value, Int128 unit, Rounding how, Int128 *out) {
    Int128 rest = value % unit, cut = value - rest;
    Int128 size = rest < 0 ? -rest : rest;
    if (how == ROUND_HALF && size >= unit - size) cut += value < 0 ? -unit : unit;
    if (how == ROUND_DOWN && rest < 0) cut -= unit;
    if (how == ROUND_UP && rest > 0) cut += unit;
    *out = cut;
    return decimal_fits(cut, DECIMAL_MAX_DIGITS);
}

static int64_t integer_arg(const KernelCall *call, uint32_t row) {
    switch (call->args[0].physical) {
    case PHYS_INT8: return KERNEL_ARG(call, 0, int8_t, row);
    case PHYS_INT16: return KERNEL_ARG(call, 0, int16_t, row);
    case PHYS_INT32: return KERNEL_ARG(call, 0, int32_t, row);
    default: return KERNEL_ARG(call, 0, int64_t, row);
    }
}

static bool integer_store(KernelCall *call, uint32_t row, Int128 value) {
    void *out = call->result->data;
    switch (call->result->physical) {
    case PHYS_INT8: ((int8_t *)out)[row] = (int8_t)value; return value == (int8_t)value;
    case PHYS_INT16: ((int16_t *)out)[row] = (int16_t)value; return value == (int16_t)value;
    case PHYS_INT32: ((int32_t *)out)[row] = (int32_t)value; return value == (int32_t)value;
    default: ((int64_t *)out)[row] = (int64_t)value; return value == (int64_t)value;
    }
}

/* Digits before the point that become 0. */
static Status integers(KernelCall *call, Rounding how) {
    KERNEL_ROWS(call, row, {
        Int128 value = integer_arg(call, row);
        int64_t digits = call->nargs == 2 ? KERNEL_ARG(call, 1, int32_t, row) : 0;
        if (digits < 0) {
            Int128 unit = decimal_powers[digits < -20 ? 20 : -digits];
            round_integer(value, unit, how, &value);
        }
        if (!integer_store(call, row, value)) row_error(call, row, ERR_OUT_OF_RANGE);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- floating point */

static double round_double(double x, Rounding how) {
    switch (how) {
    case ROUND_HALF: return round(x);
    case ROUND_CUT: return trunc(x);
    case ROUND_DOWN: return floor(x);
    default: return ceil(x);
    }
}

/* Scaled, rounded, scaled back; what is too large to have such digits stays as it is. */
static double round_digits(double x, int32_t digits, Rounding how) {
    if (digits == 0 || !isfinite(x) || digits > 400) {
        return digits > 400 ? x : round_double(x, how);
    }
    double factor = pow(10, fabs((double)digits));
    if (digits < 0) return isinf(factor) ? copysign(0, x) : round_double(x / factor, how) * factor;
    double scaled = x * factor;
    if (!isfinite(scaled) || fabs(scaled) >= 0x1p53) return x;
    return round_double(scaled, how) / factor;
}

static Status doubles(KernelCall *call, Rounding how) {
    bool single = call->args[0].physical == PHYS_FLOAT;
    KERNEL_ROWS(call, row, {
        int32_t digits = call->nargs == 2 ? KERNEL_ARG(call, 1, int32_t, row) : 0;
        double x =
            single ? (double)KERNEL_ARG(call, 0, float, row) : KERNEL_ARG(call, 0, double, row);
        double r = round_digits(x, digits, how);
        if (single) {
            ((float *)call->result->data)[row] = (float)r;
        } else {
            ((double *)call->result->data)[row] = r;
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- decimals */

/* To a whole number of scale 0. */
static Status decimals_whole(KernelCall *call, Rounding how) {
    const Vector *v = &call->args[0];
    Int128 unit = decimal_powers[v->type.scale];
    KERNEL_ROWS(call, row, {
        Int128 value = decimal_at(v, row);
        bool fits = round_integer(value, unit, how, &value);
        value /= unit;
        fits = fits && decimal_fits(value, call->result_type.precision);
        if (!fits) row_error(call, row, ERR_OUT_OF_RANGE);
        decimal_put(call->result, row, value);
    });
    return TRIB_OK;
}

/* To `digits` after the point, the scale stays. */
static Status decimals_digits(KernelCall *call, Rounding how) {
    const Vector *v = &call->args[0];
    int scale = v->type.scale;
    KERNEL_ROWS(call, row, {
        Int128 value = decimal_at(v, row);
        int64_t drop = (int64_t)scale - KERNEL_ARG(call, 1, int32_t, row);
        bool fits = true;
        if (drop > DECIMAL_MAX_DIGITS) {
            value = 0;
        } else if (drop > 0) {
            fits = round_integer(value, decimal_powers[drop], how, &value);
        }
        fits = fits && decimal_fits(value, call->result_type.precision);
        if (!fits) row_error(call, row, ERR_OUT_OF_RANGE);
        decimal_put(call->result, row, fits ? value : 0);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- dispatch and types */

static Status rounded(KernelCall *call, Rounding how) {
    Type type = call->args[0].type;
    if (type.id == TRIB_TYPE_DECIMAL) {
        return call->nargs == 2 ? decimals_digits(call, how) : decimals_whole(call, how);
    }
    return type_is_integer(type) ? integers(call, how) : doubles(call, how);
}

static Status kernel_round(KernelCall *call) {
    return rounded(call, ROUND_HALF);
}

static Status kernel_truncate(KernelCall *call) {
    return rounded(call, ROUND_CUT);
}

static Status kernel_floor(KernelCall *call) {
    return rounded(call, ROUND_DOWN);
}

static Status kernel_ceiling(KernelCall *call) {
    return rounded(call, ROUND_UP);
}

static int clamp_digits(int digits) {
    return digits < 1 ? 1 : digits > DECIMAL_MAX_DIGITS ? DECIMAL_MAX_DIGITS : digits;
}

/* One digit more where rounding may carry. */
static Status resolve_whole(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    int digits = args[0].precision - args[0].scale + (args[0].scale > 0);
    *result = type_decimal((uint8_t)clamp_digits(digits), 0);
    return TRIB_OK;
}

static Status resolve_cut(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal((uint8_t)clamp_digits(args[0].precision - args[0].scale), 0);
    return TRIB_OK;
}

static Status resolve_digits(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal((uint8_t)clamp_digits(args[0].precision + 1), args[0].scale);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define ROUNDING(ID, ALIASES, SIGNATURE, RAISES, RESOLVE, HELP)                           \
    {                                                                                     \
        .id = TRIB_FN_##ID, .name = #ID, .aliases = ALIASES, .signature = SIGNATURE,      \
        .may_raise = RAISES, .kernel = kernel_##ID, .resolve = RESOLVE, .family = "math", \
        .help = HELP                                                                      \
    }
#define WHOLE_ROWS(ID, ALIASES, RESOLVE, HELP)                            \
    ROUNDING(ID, ALIASES, "integer -> integer", false, NULL, HELP),       \
        ROUNDING(ID, ALIASES, "bigint -> bigint", false, NULL, HELP),     \
        ROUNDING(ID, ALIASES, "smallint -> smallint", false, NULL, HELP), \
        ROUNDING(ID, ALIASES, "tinyint -> tinyint", false, NULL, HELP),   \
        ROUNDING(ID, ALIASES, "decimal -> *", true, RESOLVE, HELP),       \
        ROUNDING(ID, ALIASES, "double -> double", false, NULL, HELP),     \
        ROUNDING(ID, ALIASES, "real -> real", false, NULL, HELP)
#define DIGIT_ROWS(ID, RESOLVE, HELP)                                          \
    ROUNDING(ID, NULL, "integer, integer -> integer", true, NULL, HELP),       \
        ROUNDING(ID, NULL, "bigint, integer -> bigint", true, NULL, HELP),     \
        ROUNDING(ID, NULL, "smallint, integer -> smallint", true, NULL, HELP), \
        ROUNDING(ID, NULL, "tinyint, integer -> tinyint", true, NULL, HELP),   \
        ROUNDING(ID, NULL, "decimal, integer -> *", true, RESOLVE, HELP),      \
        ROUNDING(ID, NULL, "double, integer -> double", false, NULL, HELP),    \
        ROUNDING(ID, NULL, "real, integer -> real", false, NULL, HELP)

static const char help_round[] =
    "Rounded half away from zero to a whole number, or to n digits after the point.";
static const char help_truncate[] =
    "Without the fraction, or without what stands behind n digits after the point.";

static const Function rows[] = {
    WHOLE_ROWS(round, NULL, resolve_whole, help_round),
    DIGIT_ROWS(round, resolve_digits, help_round),
    WHOLE_ROWS(truncate, NULL, resolve_cut, help_truncate),
    DIGIT_ROWS(truncate, resolve_first, help_truncate),
    WHOLE_ROWS(floor, NULL, resolve_whole, "The largest whole number that is not larger."),
    WHOLE_ROWS(ceiling, "ceil", resolve_whole, "The smallest whole number that is not smaller."),
};

FUNCTION_TABLE(functions_rounding, rows);
