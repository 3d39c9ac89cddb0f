/*
 * lambda_batch.c - handing elements of lists to a lambda, BATCH_ROWS at a time.
 *
 * What a piece makes lives in an arena that the next one empties: whoever receives it copies what is to
 * stay. Nothing is kept between calls.
 */
#include "engine/functions/lambda_batch.h"

#define LAMBDA_MAX_CHILDREN 2

Status elements_total(KernelCall *call, uint32_t index, uint32_t *out) {
    uint64_t total = 0;
    KERNEL_ROWS(call, row, { total += list_entry(&call->args[index], row).length; });
    *out = (uint32_t)total;
    if (total <= UINT32_MAX / 2) return TRIB_OK;
    return error_set(call->err, ERR_LIMIT, "the arrays of a batch have too many elements");
}

static Status batch_run(KernelCall *call, LambdaBatch *self, uint32_t index, uint32_t arg,
                        uint32_t child, Arena *work, LambdaPiece piece, void *context) {
    const Vector *list = &call->args[index];
    Vector params[LAMBDA_MAX_CHILDREN];
    uint32_t first = child == ALL_CHILDREN ? 0 : child;
    uint32_t n = child == ALL_CHILDREN ? list->nchildren : 1;
    if (self->count == 0) return TRIB_OK;
    if (call->session != NULL && call->session->cancel != NULL)
        TRY(cancel_check(call->session->cancel, call->err));
    arena_reset(work);
    for (uint32_t c = 0; c < n; c++) {
        TRY(vector_gather(work, &list->children[first + c], self->positions, self->count,
                          &params[c], call->err));
    }
    TRY(kernel_lambda(call, arg, work, self->count, self->rows, params, &self->result,
                      self->errors));
    TRY(piece(call, self, context));
    self->count = 0;
    return TRIB_OK;
}

static Status batch_walk(KernelCall *call, LambdaBatch *self, uint32_t index, uint32_t arg,
                         uint32_t child, Arena *work, LambdaPiece piece, void *context) {
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(&call->args[index], row);
        for (uint32_t i = 0; i < entry.length; i++) {
            self->rows[self->count] = row;
            self->positions[self->count++] = entry.offset + i;
            if (self->count < BATCH_ROWS) continue;
            TRY(batch_run(call, self, index, arg, child, work, piece, context));
        }
    });
    return batch_run(call, self, index, arg, child, work, piece, context);
}

Status lambda_elements(KernelCall *call, uint32_t index, uint32_t arg, uint32_t child,
                       LambdaPiece piece, void *context) {
    LambdaBatch batch = {0};
    Arena *work;
    TRY_ALLOC(batch.rows, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(batch.positions, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(batch.kept, ARENA_ARRAY(call->arena, uint32_t, BATCH_ROWS), call->err);
    TRY_ALLOC(batch.errors, arena_alloc(call->arena, BATCH_ROWS), call->err);
    TRY_ALLOC(work, arena_new(call->arena), call->err);
    Status status = batch_walk(call, &batch, index, arg, child, work, piece, context);
    arena_free(work);
    return status;
}
