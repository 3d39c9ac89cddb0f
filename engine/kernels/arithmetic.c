/*
 * arithmetic.c - integer and floating-point arithmetic.
 *
 * Overflow is not tested row by row: each loop gathers the evidence in one accumulator, branch-free,
 * so that it vectorises; only if something went wrong in the batch are the rows searched that did.
 * Rows whose arguments are NULL take part with whatever stands there; the caller drops their errors.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/arithmetic.h"

#include <math.h>

/* Sum and difference wrap; the sign bits of `bad` tell which rows overflowed. */
#define CHECKED_SUM(NAME, T, U, OP, BAD)                                              \
    KERNEL_CLONES static void NAME(KernelCall *call) {                                \
        T acc = 0;                                                                    \
        LOOP_BINARY(call, T, T, T, T r = (T)((U)x OP(U) y); acc |= (T)BAD(x, y, r);); \
        if (acc >= 0) return;                                                         \
        LOOP_MARK(call, T, T, ERR_OUT_OF_RANGE, (T)BAD(x, y, (T)((U)x OP(U) y)) < 0); \
    }

#define ADD_BAD(x, y, r)      (((x) ^ (r)) & ((y) ^ (r)))
#define SUBTRACT_BAD(x, y, r) (((x) ^ (y)) & ((x) ^ (r)))

CHECKED_SUM(add_int8, int8_t, uint8_t, +, ADD_BAD)
CHECKED_SUM(add_int16, int16_t, uint16_t, +, ADD_BAD)
CHECKED_SUM(add_int32, int32_t, uint32_t, +, ADD_BAD)
CHECKED_SUM(add_int64, int64_t, uint64_t, +, ADD_BAD)
CHECKED_SUM(subtract_int8, int8_t, uint8_t, -, SUBTRACT_BAD)
CHECKED_SUM(subtract_int16, int16_t, uint16_t, -, SUBTRACT_BAD)
CHECKED_SUM(subtract_int32, int32_t, uint32_t, -, SUBTRACT_BAD)
CHECKED_SUM(subtract_int64, int64_t, uint64_t, -, SUBTRACT_BAD)

/* Products are computed in a type twice as wide. */
#define CHECKED_PRODUCT(NAME, T, W)                                                           \
    KERNEL_CLONES static void NAME(KernelCall *call) {                                        \
        W acc = 0;                                                                            \
        LOOP_BINARY(call, T, T, T, W wide = (W)x * (W)y; T r = (T)wide; acc |= wide ^ (W)r;); \
        if (acc == 0) return;                                                                 \
        LOOP_MARK(call, T, T, ERR_OUT_OF_RANGE, (W)x *(W)y != (W)(T)((W)x * (W)y));           \
    }

CHECKED_PRODUCT(multiply_int8, int8_t, int32_t)
CHECKED_PRODUCT(multiply_int16, int16_t, int32_t)
CHECKED_PRODUCT(multiply_int32, int32_t, int64_t)

static void multiply_int64(KernelCall *call) {
    bool acc = false;
    int64_t r;
    LOOP_BINARY(call, int64_t, int64_t, int64_t, acc |= __builtin_mul_overflow(x, y, &r););
    if (!acc) return;
    LOOP_MARK(call, int64_t, int64_t, ERR_OUT_OF_RANGE, __builtin_mul_overflow(x, y, &r));
}

/* Division by zero and MIN / -1 are computed as something harmless and marked. */
#define CHECKED_QUOTIENT(NAME, T, MIN)                                                        \
    static void divide_##NAME(KernelCall *call) {                                             \
        bool acc = false;                                                                     \
        LOOP_BINARY(call, T, T, T, bool bad_ = y == 0 || (y == -1 && x == MIN); acc |= bad_;  \
                    T r = bad_ ? 0 : (T)(x / y););                                            \
        if (!acc) return;                                                                     \
        LOOP_MARK(call, T, T, ERR_OUT_OF_RANGE, y == -1 && x == MIN);                         \
        LOOP_MARK(call, T, T, ERR_DIVISION_BY_ZERO, y == 0);                                  \
    }                                                                                         \
    static void modulus_##NAME(KernelCall *call) {                                            \
        bool acc = false;                                                                     \
        LOOP_BINARY(call, T, T, T, acc |= y == 0; T r = y == 0 || y == -1 ? 0 : (T)(x % y);); \
        if (!acc) return;                                                                     \
        LOOP_MARK(call, T, T, ERR_DIVISION_BY_ZERO, y == 0);                                  \
    }                                                                                         \
    static void negate_##NAME(KernelCall *call) {                                             \
        bool acc = false;                                                                     \
        LOOP_UNARY(call, T, T, acc |= x == MIN; T r = x == MIN ? MIN : (T)-x;);               \
        if (!acc) return;                                                                     \
        KERNEL_ROWS(call, row, {                                                              \
            if (KERNEL_ARG(call, 0, T, row) == MIN) {                                         \
                call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);                           \
            }                                                                                 \
        });                                                                                   \
    }                                                                                         \
    static void abs_##NAME(KernelCall *call) {                                                \
        bool acc = false;                                                                     \
        LOOP_UNARY(call, T, T, acc |= x == MIN; T r = x == MIN ? MIN : (T)(x < 0 ? -x : x);); \
        if (!acc) return;                                                                     \
        KERNEL_ROWS(call, row, {                                                              \
            if (KERNEL_ARG(call, 0, T, row) == MIN) {                                         \
                call->errors[row] = KERNEL_ERROR(ERR_OUT_OF_RANGE);                           \
            }                                                                                 \
        });                                                                                   \
    }

CHECKED_QUOTIENT(int8, int8_t, INT8_MIN)
CHECKED_QUOTIENT(int16, int16_t, INT16_MIN)
CHECKED_QUOTIENT(int32, int32_t, INT32_MIN)
CHECKED_QUOTIENT(int64, int64_t, INT64_MIN)

#define FLOATING(NAME, T, FMOD, FABS)                             \
    KERNEL_CLONES static void add_##NAME(KernelCall *call) {      \
        LOOP_BINARY(call, T, T, T, T r = x + y;);                 \
    }                                                             \
    KERNEL_CLONES static void subtract_##NAME(KernelCall *call) { \
        LOOP_BINARY(call, T, T, T, T r = x - y;);                 \
    }                                                             \
    KERNEL_CLONES static void multiply_##NAME(KernelCall *call) { \
        LOOP_BINARY(call, T, T, T, T r = x * y;);                 \
    }                                                             \
    KERNEL_CLONES static void divide_##NAME(KernelCall *call) {   \
        LOOP_BINARY(call, T, T, T, T r = x / y;);                 \
    }                                                             \
    static void modulus_##NAME(KernelCall *call) {                \
        LOOP_BINARY(call, T, T, T, T r = FMOD(x, y););            \
    }                                                             \
    static void negate_##NAME(KernelCall *call) {                 \
        LOOP_UNARY(call, T, T, T r = -x;);                        \
    }                                                             \
    static void abs_##NAME(KernelCall *call) {                    \
        LOOP_UNARY(call, T, T, T r = FABS(x););                   \
    }

FLOATING(float, float, fmodf, fabsf)
FLOATING(double, double, fmod, fabs)

static void negate_int128(KernelCall *call) {
    LOOP_UNARY(call, Int128, Int128, Int128 r = (Int128)(0 - (UInt128)x););
}

static void abs_int128(KernelCall *call) {
    LOOP_UNARY(call, Int128, Int128, Int128 r = x < 0 ? (Int128)(0 - (UInt128)x) : x;);
}

/* ---------------------------------------------------------------- dispatch */

typedef void (*ArithmeticLoop)(KernelCall *call);

#define ARITHMETIC_TABLE(OP)                                                               \
    {                                                                                      \
        [PHYS_INT8] = OP##_int8, [PHYS_INT16] = OP##_int16, [PHYS_INT32] = OP##_int32,     \
        [PHYS_INT64] = OP##_int64, [PHYS_FLOAT] = OP##_float, [PHYS_DOUBLE] = OP##_double, \
    }

#define ARITHMETIC_KERNEL(OP)                                                 \
    Status kernel_##OP(KernelCall *call) {                                    \
        static const ArithmeticLoop loops[PHYS_COUNT] = ARITHMETIC_TABLE(OP); \
        loops[call->args[0].physical](call);                                  \
        return TRIB_OK;                                                       \
    }

ARITHMETIC_KERNEL(add)
ARITHMETIC_KERNEL(subtract)
ARITHMETIC_KERNEL(multiply)
ARITHMETIC_KERNEL(divide)
ARITHMETIC_KERNEL(modulus)

Status kernel_negate(KernelCall *call) {
    static const ArithmeticLoop loops[PHYS_COUNT] = ARITHMETIC_TABLE(negate);
    if (call->args[0].physical == PHYS_INT128) {
        negate_int128(call);
    } else {
        loops[call->args[0].physical](call);
    }
    return TRIB_OK;
}

Status kernel_abs(KernelCall *call) {
    static const ArithmeticLoop loops[PHYS_COUNT] = ARITHMETIC_TABLE(abs);
    if (call->args[0].physical == PHYS_INT128) {
        abs_int128(call);
    } else {
        loops[call->args[0].physical](call);
    }
    return TRIB_OK;
}
