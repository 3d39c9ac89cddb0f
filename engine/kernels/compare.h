/*
 * compare.h - kernels of =, <>, <, <=, >, >=, IS DISTINCT FROM, and equality with SQL's NULL.
 */
#ifndef TRIB_KERNELS_COMPARE_H
#define TRIB_KERNELS_COMPARE_H

#include "engine/kernels/kernel.h"

/* (T, T) -> boolean, by the physical type of the arguments. NaN is equal to nothing and neither less
 * nor greater. Nested values with NULL elements may compare as NULL. */
Status kernel_eq(KernelCall *call);
Status kernel_ne(KernelCall *call);
Status kernel_lt(KernelCall *call);
Status kernel_le(KernelCall *call);
Status kernel_gt(KernelCall *call);
Status kernel_ge(KernelCall *call);
Status kernel_is_distinct_from(KernelCall *call); /* sees NULLs itself */

typedef enum { EQUAL_NO, EQUAL_YES, EQUAL_UNKNOWN } Equality;
/* a = b in three-valued logic, element-wise for nested types; both positions non-NULL. */
Equality vector_equality(const Vector *a, uint32_t pa, const Vector *b, uint32_t pb);

#endif
