/*
 * math.c - rows and kernels of mathematical and bitwise functions. Rounding is in rounding.c.
 *
 * Functions of doubles follow IEEE 754 and libm: outside their domain they give NaN, not an error.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/helpers.h"
#include "engine/kernels/arithmetic.h"

#include <math.h>
#include <stdatomic.h>

#define PI 3.14159265358979323846
#define E  2.71828182845904523536

#define DOUBLE_1(ID, EXPRESSION)                                    \
    static Status kernel_##ID(KernelCall *call) {                   \
        LOOP_UNARY(call, double, double, double r = (EXPRESSION);); \
        return TRIB_OK;                                             \
    }
#define DOUBLE_2(ID, EXPRESSION)                                             \
    static Status kernel_##ID(KernelCall *call) {                            \
        LOOP_BINARY(call, double, double, double, double r = (EXPRESSION);); \
        return TRIB_OK;                                                      \
    }
#define DOUBLE_TEST(ID, EXPRESSION)                                        \
    static Status kernel_##ID(KernelCall *call) {                          \
        LOOP_UNARY(call, double, uint8_t, uint8_t r = (EXPRESSION) != 0;); \
        return TRIB_OK;                                                    \
    }
#define BITS_2(ID, OP)                                                     \
    static Status kernel_##ID(KernelCall *call) {                          \
        LOOP_BINARY(call, int64_t, int64_t, int64_t, int64_t r = x OP y;); \
        return TRIB_OK;                                                    \
    }

/* libm's result may be off by one in the last place; one step of Newton's method makes cubes exact. */
static double cube_root(double x) {
    double r = cbrt(x);
    return isfinite(r) && r != 0 ? r - (r * r * r - x) / (3 * r * r) : r;
}

DOUBLE_1(sqrt, sqrt(x))
DOUBLE_1(cbrt, cube_root(x))
DOUBLE_1(exp, exp(x))
DOUBLE_1(ln, log(x))
DOUBLE_1(log2, log2(x))
DOUBLE_1(log10, log10(x))
DOUBLE_1(sin, sin(x))
DOUBLE_1(cos, cos(x))
DOUBLE_1(tan, tan(x))
DOUBLE_1(asin, asin(x))
DOUBLE_1(acos, acos(x))
DOUBLE_1(atan, atan(x))
DOUBLE_1(sinh, sinh(x))
DOUBLE_1(cosh, cosh(x))
DOUBLE_1(tanh, tanh(x))
DOUBLE_1(degrees, x *(180 / PI))
DOUBLE_1(radians, x / 180 * PI)
#define EARTH_KM 6371.01 /* mean radius, as Trino takes it */

/* By Vincenty's formula on a sphere, which is exact for near and for opposite points. */
static double great_circle_km(const double degrees[4]) {
    double a1 = degrees[0] / 180 * PI, a2 = degrees[2] / 180 * PI,
           across = (degrees[3] - degrees[1]) / 180 * PI;
    double y1 = cos(a2) * sin(across);
    double y2 = cos(a1) * sin(a2) - sin(a1) * cos(a2) * cos(across);
    double x = sin(a1) * sin(a2) + cos(a1) * cos(a2) * cos(across);
    return atan2(sqrt(y1 * y1 + y2 * y2), x) * EARTH_KM;
}

static Status kernel_great_circle_distance(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        double at[4];
        bool good = true;
        for (uint32_t i = 0; i < 4; i++) {
            at[i] = KERNEL_ARG(call, i, double, row);
            good &= fabs(at[i]) <= (i % 2 ? 180 : 90);
        }
        if (!good)
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "a latitude is from -90 to 90, a longitude from -180 to 180");
        ((double *)call->result->data)[row] = good ? great_circle_km(at) : 0;
    });
    return TRIB_OK;
}
DOUBLE_2(power, pow(x, y))
DOUBLE_2(atan2, atan2(x, y))
DOUBLE_2(log, log(y) / log(x))
DOUBLE_TEST(is_nan, isnan(x))
DOUBLE_TEST(is_finite, isfinite(x))
DOUBLE_TEST(is_infinite, isinf(x))
BITS_2(bitwise_and, &)
BITS_2(bitwise_or, |)
BITS_2(bitwise_xor, ^)

static Status kernel_bitwise_not(KernelCall *call) {
    LOOP_UNARY(call, int64_t, int64_t, int64_t r = ~x;);
    return TRIB_OK;
}

static Status kernel_pi(KernelCall *call) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = PI; });
    return TRIB_OK;
}

static Status kernel_e(KernelCall *call) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = E; });
    return TRIB_OK;
}

static Status kernel_nan(KernelCall *call) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = NAN; });
    return TRIB_OK;
}

static Status kernel_infinity(KernelCall *call) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = INFINITY; });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- sign */

#define SIGN(PHYS, T)                                          \
    case PHYS: {                                               \
        LOOP_UNARY(call, T, T, T r = (T)((x > 0) - (x < 0));); \
        return TRIB_OK;                                        \
    }

static Status kernel_sign(KernelCall *call) {
    switch (call->args[0].physical) {
        SIGN(PHYS_INT8, int8_t)
        SIGN(PHYS_INT16, int16_t)
        SIGN(PHYS_INT32, int32_t)
        SIGN(PHYS_INT64, int64_t)
    case PHYS_FLOAT:
        LOOP_UNARY(call, float, float, float r = x != x ? x : (float)((x > 0) - (x < 0)););
        return TRIB_OK;
    default:
        LOOP_UNARY(call, double, double, double r = x != x ? x : (double)((x > 0) - (x < 0)););
        return TRIB_OK;
    }
}

static Status kernel_decimal_sign(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Int128 x = decimal_at(&call->args[0], row);
        out[row] = (x > 0) - (x < 0);
    });
    return TRIB_OK;
}

static Status resolve_sign(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal(1, 0);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- random */

/* One generator per evaluator (splitmix64); seeded by the statement's seed and a running number, so
 * that workers draw different numbers. */
typedef struct RandomState {
    uint64_t state;
    bool seeded;
} RandomState;

static Status random_prepare(Arena *arena, uint32_t nargs, const Value *const *constants,
                             void **state, Error *err) {
    TRY_ALLOC(*state, ARENA_NEW(arena, RandomState), err);
    return TRIB_OK;
}

static uint64_t random_next(KernelCall *call) {
    static _Atomic uint64_t streams;
    RandomState *r = call->state;
    if (!r->seeded) {
        uint64_t stream = atomic_fetch_add_explicit(&streams, 1, memory_order_relaxed) + 1;
        uint64_t seed = call->session != NULL ? call->session->random_seed : 0;
        r->state = seed ^ (stream * UINT64_C(0xd1342543de82ef95));
        r->seeded = true;
    }
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static Status kernel_random(KernelCall *call) {
    double *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = (double)(random_next(call) >> 11) * 0x1p-53; });
    return TRIB_OK;
}

static int64_t any_integer(const KernelCall *call, uint32_t index, uint32_t row) {
    switch (call->args[index].physical) {
    case PHYS_INT8: return KERNEL_ARG(call, index, int8_t, row);
    case PHYS_INT16: return KERNEL_ARG(call, index, int16_t, row);
    case PHYS_INT32: return KERNEL_ARG(call, index, int32_t, row);
    default: return arg_int64(call, index, row);
    }
}

/* Evenly from [low, high): a 128-bit product instead of a remainder. The result is of the bounds' type. */
static Status kernel_random_range(KernelCall *call) {
    void *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t low = call->nargs == 2 ? any_integer(call, 0, row) : 0;
        int64_t high = any_integer(call, call->nargs - 1, row);
        if (high <= low) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            high = low;
        }
        uint64_t width = (uint64_t)high - (uint64_t)low;
        UInt128 product = (UInt128)random_next(call) * width;
        int64_t value = (int64_t)((uint64_t)low + (uint64_t)(product >> 64));
        switch (call->result->physical) {
        case PHYS_INT8: ((int8_t *)out)[row] = (int8_t)value; break;
        case PHYS_INT16: ((int16_t *)out)[row] = (int16_t)value; break;
        case PHYS_INT32: ((int32_t *)out)[row] = (int32_t)value; break;
        default: ((int64_t *)out)[row] = value;
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define MATH(ID, SIGNATURE, HELP)                                                       \
    {                                                                                   \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .kernel = kernel_##ID, \
        .family = "math", .help = HELP                                                  \
    }
#define DOUBLE_ROW(ID, HELP) MATH(ID, "double -> double", HELP)

static const char help_sign[] = "-1, 0 or 1.";
static const char help_random[] =
    "A random double in [0, 1), or a random integer below a bound, or between two.";

#define RANDOM(SIGNATURE)                                                                  \
    {                                                                                      \
        .id = TRIB_FN_random, .name = "random", .aliases = "rand", .signature = SIGNATURE, \
        .stability = STABILITY_VOLATILE, .may_raise = true, .kernel = kernel_random_range, \
        .prepare = random_prepare, .family = "math", .help = help_random                   \
    }

static const Function rows[] = {
    DOUBLE_ROW(sqrt, "Square root."),
    DOUBLE_ROW(cbrt, "Cube root."),
    DOUBLE_ROW(exp, "e to the power of x."),
    DOUBLE_ROW(ln, "Natural logarithm."),
    DOUBLE_ROW(log2, "Logarithm to the base 2."),
    DOUBLE_ROW(log10, "Logarithm to the base 10."),
    MATH(log, "double, double -> double",
         "Logarithm of the second argument to the base of the first."),
    {.id = TRIB_FN_power,
     .name = "power",
     .aliases = "pow",
     .signature = "double, double -> double",
     .kernel = kernel_power,
     .family = "math",
     .help = "x to the power of y."},
    DOUBLE_ROW(sin, "Sine of an angle in radians."),
    DOUBLE_ROW(cos, "Cosine of an angle in radians."),
    DOUBLE_ROW(tan, "Tangent of an angle in radians."),
    DOUBLE_ROW(asin, "Arc sine."),
    DOUBLE_ROW(acos, "Arc cosine."),
    DOUBLE_ROW(atan, "Arc tangent."),
    DOUBLE_ROW(sinh, "Hyperbolic sine."),
    DOUBLE_ROW(cosh, "Hyperbolic cosine."),
    {.id = TRIB_FN_great_circle_distance,
     .name = "great_circle_distance",
     .signature = "double, double, double, double -> double",
     .may_raise = true,
     .kernel = kernel_great_circle_distance,
     .family = "math",
     .help = "Kilometres between two places on Earth, each as latitude and longitude in degrees."},
    DOUBLE_ROW(tanh, "Hyperbolic tangent."),
    MATH(atan2, "double, double -> double", "Arc tangent of y / x."),
    DOUBLE_ROW(degrees, "Radians as degrees."),
    DOUBLE_ROW(radians, "Degrees as radians."),
    MATH(pi, "-> double", "The constant pi."),
    MATH(e, "-> double", "Euler's number."),
    MATH(nan, "-> double", "Not a number."),
    MATH(infinity, "-> double", "Positive infinity."),
    MATH(is_nan, "double -> boolean", "Whether it is not a number."),
    MATH(is_finite, "double -> boolean", "Whether it is finite."),
    MATH(is_infinite, "double -> boolean", "Whether it is infinite."),
    MATH(sign, "integer -> integer", help_sign),
    MATH(sign, "bigint -> bigint", help_sign),
    MATH(sign, "smallint -> smallint", help_sign),
    MATH(sign, "tinyint -> tinyint", help_sign),
    {.id = TRIB_FN_sign,
     .name = "sign",
     .signature = "decimal -> *",
     .kernel = kernel_decimal_sign,
     .resolve = resolve_sign,
     .family = "math",
     .help = help_sign},
    MATH(sign, "double -> double", help_sign),
    MATH(sign, "real -> real", help_sign),
    MATH(bitwise_and, "bigint, bigint -> bigint", "Bitwise AND in two's complement."),
    MATH(bitwise_or, "bigint, bigint -> bigint", "Bitwise OR in two's complement."),
    MATH(bitwise_xor, "bigint, bigint -> bigint", "Bitwise exclusive OR in two's complement."),
    MATH(bitwise_not, "bigint -> bigint", "Bitwise NOT in two's complement."),
    {.id = TRIB_FN_random,
     .name = "random",
     .aliases = "rand",
     .signature = "-> double",
     .stability = STABILITY_VOLATILE,
     .kernel = kernel_random,
     .prepare = random_prepare,
     .family = "math",
     .help = help_random},
    RANDOM("bigint -> bigint"),
    RANDOM("integer -> integer"),
    RANDOM("smallint -> smallint"),
    RANDOM("tinyint -> tinyint"),
    RANDOM("bigint, bigint -> bigint"),
    RANDOM("integer, integer -> integer"),
    RANDOM("smallint, smallint -> smallint"),
    RANDOM("tinyint, tinyint -> tinyint"),
};

FUNCTION_TABLE(functions_math, rows);
