/*
 * loop.h - how kernels' loops are generated. Included first, by kernels' sources only.
 *
 * A loop has six variants: (vector, constant on the right, constant on the left) x (all rows, the
 * rows of a selection). The body reads x and y and assigns r; the dense variants vectorise.
 */
#ifndef TRIB_KERNELS_LOOP_H
#define TRIB_KERNELS_LOOP_H

/* Loops are worth vectorising whatever the build's general level. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("O3")
#endif

/* Hot loops are compiled twice and chosen at load time by what the processor has. Sanitizers
 * instrument the resolvers, which run too early for that. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && \
    defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KERNEL_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define KERNEL_CLONES
#endif

#include "engine/kernels/kernel.h"

/* po[row] = r, computed by the body from x = a[row]. */
#define LOOP_UNARY(call, TA, TO, ...)                         \
    do {                                                      \
        const TA *pa = (call)->args[0].data;                  \
        TO *restrict po = (call)->result->data;               \
        FOR_SELECTED((call)->selection, (call)->count, row, { \
            TA x = pa[row];                                   \
            __VA_ARGS__                                       \
            po[row] = r;                                      \
        });                                                   \
    } while (0)

/* The same for x = a[row], y = b[row], in three shapes. */
#define LOOP_BINARY(call, TA, TB, TO, ...)                    \
    do {                                                      \
        const TA *pa = (call)->args[0].data;                  \
        const TB *pb = (call)->args[1].data;                  \
        TO *restrict po = (call)->result->data;               \
        const uint16_t *loop_selection = (call)->selection;   \
        uint32_t loop_count = (call)->count;                  \
        if ((call)->args[1].form == VECTOR_CONSTANT) {        \
            const TB y = pb[0];                               \
            FOR_SELECTED(loop_selection, loop_count, row, {   \
                TA x = pa[row];                               \
                __VA_ARGS__                                   \
                po[row] = r;                                  \
            });                                               \
        } else if ((call)->args[0].form == VECTOR_CONSTANT) { \
            const TA x = pa[0];                               \
            FOR_SELECTED(loop_selection, loop_count, row, {   \
                TB y = pb[row];                               \
                __VA_ARGS__                                   \
                po[row] = r;                                  \
            });                                               \
        } else {                                              \
            FOR_SELECTED(loop_selection, loop_count, row, {   \
                TA x = pa[row];                               \
                TB y = pb[row];                               \
                __VA_ARGS__                                   \
                po[row] = r;                                  \
            });                                               \
        }                                                     \
    } while (0)

/* After a loop that found something wrong in some row: marks the rows for which `bad` holds. */
#define LOOP_MARK(call, TA, TB, code, bad)                 \
    KERNEL_ROWS(call, row, {                               \
        TA x = KERNEL_ARG(call, 0, TA, row);               \
        TB y = KERNEL_ARG(call, 1, TB, row);               \
        (void)x, (void)y;                                  \
        if (bad) (call)->errors[row] = KERNEL_ERROR(code); \
    })

#endif
