/*
 * row_serial.h - values of nested types as bytes: arrays, maps, rows, recursively.
 *
 *   array, map   uint32 number of elements, then per element one validity byte and, if valid, the
 *   value
 *                (map: key, value, key, value ...)
 *   row          per field one validity byte and, if valid, the value
 *   text         uint32 length, bytes
 *   others       their physical bytes, unaligned
 * The bytes are private to one query: no pointers, no versions.
 */
#ifndef TRIB_EXEC_ROW_SERIAL_H
#define TRIB_EXEC_ROW_SERIAL_H

#include "engine/vector/vector.h"

/* Serialises the selected rows of a vector of a nested type; out[position] borrows from the
 * arena. A value of 4 GiB or more is an error. */
Status serial_write(const Vector *vector, const uint16_t *selection, uint32_t count, Arena *arena,
                    StrView *out, Error *err) WARN_UNUSED;
/* Rebuilds `count` values: a FLAT vector in the arena; text is borrowed from the serialised
 * bytes. values[i] is ignored where validity (by i; NULL = all valid) is unset. */
Status serial_read(Type type, const StrView *values, const uint64_t *validity, uint32_t count,
                   Arena *arena, Vector *out, Error *err) WARN_UNUSED;
/* Order of two serialised values, NULL elements last and equal to each other: 0 exactly when the
 * values are equal. */
int serial_compare(Type type, const char *a, const char *b);
/* Order of two values in their physical form: what serial_compare uses for leaves. */
int physical_compare(PhysicalType physical, const void *a, const void *b);
static inline bool physical_equal(PhysicalType physical, const void *a, const void *b) {
    return physical_compare(physical, a, b) == 0;
}

#endif
