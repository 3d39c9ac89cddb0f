/*
 * aggregate.h - loops and small helpers of aggregates.
 */
#ifndef TRIB_FUNCTIONS_AGGREGATE_H
#define TRIB_FUNCTIONS_AGGREGATE_H

#include "engine/functions/tables.h"

/* States are aligned to 8 bytes only. */
typedef Int128 Int128A8 __attribute__((aligned(8)));

/* For each row of the selection whose value in `v` (of any form) is not NULL: body with `i`, the number of
 * the row in the selection, and `x`, the value. FLAT vectors without NULLs have loops without tests. */
#define AGGREGATE_VALUES(T, v, selection, count, i, x, ...)                     \
    do {                                                                        \
        const Vector *values_of = (v);                                          \
        const T *values_data = values_of->data;                                 \
        const uint64_t *values_validity = values_of->validity;                  \
        if (values_of->form == VECTOR_FLAT && values_validity == NULL) {        \
            if ((selection) == NULL) {                                          \
                for (uint32_t i = 0; i < (count); i++) {                        \
                    const T x = values_data[i];                                 \
                    __VA_ARGS__                                                 \
                }                                                               \
            } else {                                                            \
                for (uint32_t i = 0; i < (count); i++) {                        \
                    const T x = values_data[(selection)[i]];                    \
                    __VA_ARGS__                                                 \
                }                                                               \
            }                                                                   \
        } else {                                                                \
            for (uint32_t i = 0; i < (count); i++) {                            \
                uint32_t values_row = (selection) != NULL ? (selection)[i] : i; \
                if (vector_is_null(values_of, values_row)) continue;            \
                const T x = *(const T *)vector_at(values_of, values_row);       \
                __VA_ARGS__                                                     \
            }                                                                   \
        }                                                                       \
    } while (0)

#define STATE(T, states, i, offset) ((T *)(void *)((states)[i] + (offset)))

/* Makes the result NULL at a position. */
static inline Status result_null(Vector *result, uint32_t position, Arena *arena, Error *err) {
    TRY(vector_need_validity(arena, result, err));
    bitmap_unset(result->validity, position);
    return TRIB_OK;
}

#endif
