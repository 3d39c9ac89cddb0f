/*
 * row_value.h - values of batches that are to be written, one by one.
 */
#ifndef TRIB_SUPPORT_ROW_VALUE_H
#define TRIB_SUPPORT_ROW_VALUE_H

#include <string.h>

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

/*
 * The value at `row` (counted from the array's beginning, before its offset) of a column in the canonical
 * layout of `type`. Texts point into the batch, short ones and uuids into its buffers too. Scalar types only:
 * false for nested ones.
 */
bool row_value(const struct ArrowArray *column, TribType type, int64_t row, TribValue *out);
/* The text at position `at` of a text column's buffers (offset included). */
static inline Str row_text(const struct ArrowArray *column, int64_t at) {
    const uint8_t *view = (const uint8_t *)column->buffers[1] + at * 16;
    int32_t length, index, offset;
    memcpy(&length, view, 4);
    if (length <= 12) return (Str){(const char *)view + 4, (size_t)length};
    memcpy(&index, view + 8, 4);
    memcpy(&offset, view + 12, 4);
    return (Str){(const char *)column->buffers[2 + index] + offset, (size_t)length};
}
/* Position of the i-th row that counts, and their number. */
static inline uint32_t batch_rows_count(const TribBatch *batch) {
    return batch->selection ? batch->selected : (uint32_t)batch->array.length;
}
static inline int64_t batch_row_at(const TribBatch *batch, uint32_t i) {
    return batch->selection ? batch->selection[i] : i;
}

#endif
