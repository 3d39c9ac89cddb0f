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

/* A number of any type but the narrow integers, as a double. */
static inline double number_at(const Vector *v, uint32_t row) {
    const void *at = vector_at(v, row);
    bool decimal = v->type.id == TRIB_TYPE_DECIMAL;
    switch ((PhysicalType)v->physical) {
    case PHYS_FLOAT: return (double)*(const float *)at;
    case PHYS_INT64:
        return decimal ? decimal_to_double(*(const int64_t *)at, v->type.scale)
                       : (double)*(const int64_t *)at;
    case PHYS_INT128: return decimal_to_double(*(const Int128 *)at, v->type.scale);
    default: return *(const double *)at;
    }
}

/* The same for arguments of double, real, bigint or decimal; x is a double. */
#define AGGREGATE_NUMBERS(v, selection, count, i, x, ...)                     \
    do {                                                                      \
        if ((v)->physical == PHYS_DOUBLE) {                                   \
            AGGREGATE_VALUES(double, v, selection, count, i, x, __VA_ARGS__); \
            break;                                                            \
        }                                                                     \
        for (uint32_t i = 0; i < (count); i++) {                              \
            uint32_t values_row = (selection) != NULL ? (selection)[i] : i;   \
            if (vector_is_null(v, values_row)) continue;                      \
            const double x = number_at(v, values_row);                        \
            __VA_ARGS__                                                       \
        }                                                                     \
    } while (0)

#define STATE(T, states, i, offset) ((T *)(void *)((states)[i] + (offset)))

/* Makes the result NULL at a position. */
static inline Status result_null(Vector *result, uint32_t position, Arena *arena, Error *err) {
    TRY(vector_need_validity(arena, result, err));
    bitmap_unset(result->validity, position);
    return TRIB_OK;
}

/* Stores a number at a position of a result of real or double. */
static inline void result_real(Vector *result, uint32_t position, double value) {
    if (result->physical == PHYS_FLOAT) {
        ((float *)result->data)[position] = (float)value;
    } else {
        ((double *)result->data)[position] = value;
    }
}

#endif
