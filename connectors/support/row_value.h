/*
 * row_value.h - values of batches that are to be written, one by one.
 */
#ifndef TRIB_SUPPORT_ROW_VALUE_H
#define TRIB_SUPPORT_ROW_VALUE_H

#include "connectors/tributary_connector.h"
#include "engine/base/error.h"

/*
 * The value at `row` (counted from the array's beginning, before its offset) of a column in the canonical
 * layout of `type`. Texts point into the batch, short ones and uuids into its buffers too. Scalar types only:
 * false for nested ones.
 */
bool row_value(const struct ArrowArray *column, TribType type, int64_t row, TribValue *out);
/* Position of the i-th row that counts, and their number. */
static inline uint32_t batch_rows_count(const TribBatch *batch) {
    return batch->selection ? batch->selected : (uint32_t)batch->array.length;
}
static inline int64_t batch_row_at(const TribBatch *batch, uint32_t i) {
    return batch->selection ? batch->selection[i] : i;
}

#endif
