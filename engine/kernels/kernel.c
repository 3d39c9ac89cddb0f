/*
 * kernel.c - helpers of all kernels: NULL results, text results, turning masks into selections.
 */
#include "engine/kernels/loop.h"

#define TEXT_PIECE (UINT64_C(16) << 10) /* taken from the arena at a time for the rows' text */

Status kernel_set_null(KernelCall *call, uint32_t row) {
    TRY(vector_need_validity(call->arena, call->result, call->err));
    bitmap_unset(call->result->validity, row);
    return TRIB_OK;
}

char *kernel_text(KernelCall *call, uint32_t row, uint64_t len) {
    uint64_t limit = call->session != NULL ? call->session->max_value_size : 0;
    if (limit == 0 || limit > UINT32_MAX) limit = UINT32_MAX;
    if (len > limit) {
        call->errors[row] = KERNEL_ERROR(ERR_LIMIT);
        return NULL;
    }
    if (len > call->text_left) {
        uint64_t piece = len * call->count;
        if (piece > TEXT_PIECE) piece = len > TEXT_PIECE ? len : TEXT_PIECE;
        call->text_room = arena_alloc(call->arena, (size_t)piece);
        call->text_left = call->text_room != NULL ? piece : 0;
        if (call->text_room == NULL) return NULL;
    }
    char *text = call->text_room;
    call->text_room += len;
    call->text_left -= len;
    return text;
}

Status kernel_put_text(KernelCall *call, uint32_t row, const char *data, size_t len) {
    StrView *to = (StrView *)call->result->data + row;
    if (len <= STRVIEW_INLINE) {
        *to = strview_of(data, len);
        return TRIB_OK;
    }
    char *copy = kernel_text(call, row, len);
    if (copy == NULL) return call->errors[row] ? TRIB_OK : error_out_of_memory(call->err);
    memcpy(copy, data, len);
    *to = strview_of(copy, len);
    return TRIB_OK;
}

Status kernel_put_buf(KernelCall *call, uint32_t row, const Buf *text) {
    Status status = buf_status(text, call->err);
    if (status == TRIB_OK) {
        Str all = buf_view(text);
        return kernel_put_text(call, row, all.data, all.len);
    }
    if (status == TRIB_MEMORY) return status;
    error_clear(call->err);
    call->errors[row] = KERNEL_ERROR(ERR_LIMIT);
    return TRIB_OK;
}

void kernel_buf_init(const KernelCall *call, Buf *out) {
    uint64_t limit = call->session != NULL ? call->session->max_value_size : 0;
    buf_init(out, call->arena, limit != 0 && limit < UINT32_MAX ? limit : UINT32_MAX);
}

/* ---------------------------------------------------------------- selections */

/* Eight rows at a time: blocks in which no row is true are skipped with one test. */
static uint32_t select_dense(const uint8_t *mask, uint32_t count, uint16_t *out) {
    uint32_t n = 0, row = 0;
    for (; row + 8 <= count; row += 8) {
        uint64_t block;
        memcpy(&block, mask + row, sizeof(block));
        if (block == 0) continue;
        for (uint32_t i = row; i < row + 8; i++) {
            out[n] = (uint16_t)i;
            n += mask[i];
        }
    }
    for (; row < count; row++) {
        out[n] = (uint16_t)row;
        n += mask[row];
    }
    return n;
}

uint32_t kernel_select(const uint8_t *mask, const uint64_t *validity, const uint16_t *selection,
                       uint32_t count, uint16_t *out) {
    uint32_t n = 0;
    if (selection == NULL && validity == NULL) return select_dense(mask, count, out);
    if (validity == NULL) {
        for (uint32_t i = 0; i < count; i++) {
            uint16_t row = selection[i];
            out[n] = row;
            n += mask[row];
        }
        return n;
    }
    FOR_SELECTED(selection, count, row, {
        /* A NULL row's mask may be anything, not only 0 or 1. */
        uint32_t take = (mask[row] & 1) & (uint32_t)bitmap_get(validity, row);
        out[n] = (uint16_t)row;
        n += take;
    });
    return n;
}
