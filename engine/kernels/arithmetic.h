/*
 * arithmetic.h - kernels of + - * / % and unary - for integers, floating point and decimals.
 *
 * Integers raise OUT_OF_RANGE on overflow and DIVISION_BY_ZERO; real and double follow IEEE 754;
 * decimals have the result type that type.h computes and raise where it does not hold the result.
 */
#ifndef TRIB_KERNELS_ARITHMETIC_H
#define TRIB_KERNELS_ARITHMETIC_H

#include "engine/kernels/kernel.h"

/* Both arguments and the result have one integer, real or double type. */
Status kernel_add(KernelCall *call);
Status kernel_subtract(KernelCall *call);
Status kernel_multiply(KernelCall *call);
Status kernel_divide(KernelCall *call);
Status kernel_modulus(KernelCall *call);
Status kernel_negate(KernelCall *call); /* decimals too */
Status kernel_abs(KernelCall *call);    /* decimals too */

/* Arguments are decimals of any precision and scale. */
Status kernel_decimal_add(KernelCall *call);
Status kernel_decimal_subtract(KernelCall *call);
Status kernel_decimal_multiply(KernelCall *call);
Status kernel_decimal_divide(KernelCall *call);
Status kernel_decimal_modulus(KernelCall *call);

/* The decimal at a position of a FLAT or CONSTANT decimal vector. */
static inline Int128 decimal_at(const Vector *v, uint32_t row) {
    if (v->form == VECTOR_CONSTANT) row = 0;
    return v->physical == PHYS_INT128 ? ((const Int128 *)v->data)[row]
                                      : ((const int64_t *)v->data)[row];
}
/* Stores one; it must fit the vector's physical type. */
static inline void decimal_put(Vector *v, uint32_t row, Int128 value) {
    if (v->physical == PHYS_INT128) {
        ((Int128 *)v->data)[row] = value;
    } else {
        ((int64_t *)v->data)[row] = (int64_t)value;
    }
}
/* Marks a row that gave something else than DECIMAL_OK. */
static inline void decimal_mark(KernelCall *call, uint32_t row, DecimalResult result) {
    call->errors[row] =
        KERNEL_ERROR(result == DECIMAL_DIVIDE_BY_ZERO ? ERR_DIVISION_BY_ZERO : ERR_OUT_OF_RANGE);
}

#endif
