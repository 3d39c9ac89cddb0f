/*
 * helpers.h - short ways for kernels that work row by row.
 */
#ifndef TRIB_FUNCTIONS_HELPERS_H
#define TRIB_FUNCTIONS_HELPERS_H

#include "engine/functions/tables.h"

static inline Str arg_text(const KernelCall *call, uint32_t index, uint32_t row) {
    return strview_str(&KERNEL_ARG(call, index, StrView, row));
}
static inline int64_t arg_int64(const KernelCall *call, uint32_t index, uint32_t row) {
    return KERNEL_ARG(call, index, int64_t, row);
}
static inline void row_error(KernelCall *call, uint32_t row, ErrorCode code) {
    call->errors[row] = KERNEL_ERROR(code);
}
/* The result is a part of an argument's bytes. */
static inline void row_view(KernelCall *call, uint32_t row, const char *data, size_t len) {
    ((StrView *)call->result->data)[row] = strview_of(data, len);
}
/* Room for a row's text of known length: `small` if it fits a view. NULL: see row_text_failed. */
static inline char *row_text(KernelCall *call, uint32_t row, uint64_t len,
                             char small[STRVIEW_INLINE]) {
    return len <= STRVIEW_INLINE ? small : kernel_text(call, row, len);
}
/* After row_text gave NULL: the row has its error, or memory is exhausted. */
static inline Status row_text_failed(KernelCall *call, uint32_t row) {
    return call->errors[row] != 0 ? TRIB_OK : error_out_of_memory(call->err);
}

#endif
