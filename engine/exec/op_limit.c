/*
 * op_limit.c - OFFSET and LIMIT; op_single_row - the one row of a scalar sub-query.
 *
 * Role: transform. LIMIT counts rows over all workers with atomics: which rows pass is any choice when
 * several workers feed it, and the written order when the source is ordered (one worker). Once the limit
 * is reached it wants no more input, which ends the pipeline and stops the scan below.
 *
 * SINGLE_ROW passes one row; a second one is an error (21000); after an input without rows its tail is
 * one row of NULLs.
 */
#include <stdatomic.h>

#include "engine/exec/operator.h"

typedef struct LimitShared {
    _Atomic int64_t seen; /* rows that arrived */
} LimitShared;

static Status limit_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    LimitShared *self = context->shared;
    const PhysNode *node = context->node;
    int64_t offset = node->as.limit.offset;
    int64_t end;
    if (node->as.limit.limit < 0 || __builtin_add_overflow(offset, node->as.limit.limit, &end))
        end = INT64_MAX;
    if (atomic_load(&self->seen) >= end) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    int64_t first = atomic_fetch_add(&self->seen, in->selected);
    int64_t from = first < offset ? offset - first : 0;
    int64_t to = in->selected;
    if (first + to > end) to = end - first;
    if (from >= to) {
        *step = first >= end ? STEP_FINISHED : STEP_NEED_INPUT;
        return TRIB_OK;
    }
    TRY(batch_columns(out, in->ncolumns, err));
    if (in->ncolumns) memcpy(out->columns, in->columns, in->ncolumns * sizeof *in->columns);
    uint16_t *selection;
    uint32_t rows = (uint32_t)(to - from);
    TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, rows), err);
    for (uint32_t i = 0; i < rows; i++) selection[i] = (uint16_t)batch_row(in, (uint32_t)from + i);
    out->count = in->count;
    out->selection = selection;
    out->selected = rows;
    *step = STEP_LAST_OUTPUT;
    return TRIB_OK;
}

const Operator op_limit = {
    .name = "limit",
    .shared_size = sizeof(LimitShared),
    .process = limit_process,
};

typedef struct SingleRowShared {
    _Atomic uint64_t seen;
} SingleRowShared;

static Status single_row_process(OpContext *context, Batch *in, Batch *out, Step *step,
                                 Error *err) {
    SingleRowShared *self = context->shared;
    uint64_t before = atomic_fetch_add(&self->seen, in->selected);
    if (before + in->selected > 1) {
        error_set_at(err, ERR_SCALAR_SUBQUERY_ROWS, context->node->line, context->node->column,
                     "a scalar sub-query returned more than one row");
        return error_hint(err, "Aggregate it, or add LIMIT 1.");
    }
    TRY(batch_columns(out, in->ncolumns, err));
    if (in->ncolumns) memcpy(out->columns, in->columns, in->ncolumns * sizeof *in->columns);
    out->count = in->count;
    out->selection = in->selection;
    out->selected = in->selected;
    *step = STEP_LAST_OUTPUT;
    return TRIB_OK;
}

static bool single_row_has_tail(const PhysNode *node, void *shared) {
    SingleRowShared *self = shared;
    return atomic_load(&self->seen) == 0;
}

static Status single_row_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    SingleRowShared *self = context->shared;
    const PhysNode *node = context->node;
    if (atomic_fetch_add(&self->seen, 1) > 0) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t i = 0; i < node->ncolumns; i++) {
        Value null = {.type = node->types[i], .is_null = true};
        TRY(vector_constant(out->arena, &null, &out->columns[i], err));
    }
    out->count = out->selected = 1;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

const Operator op_single_row = {
    .name = "single row",
    .shared_size = sizeof(SingleRowShared),
    .process = single_row_process,
    .has_tail = single_row_has_tail,
    .produce = single_row_produce,
    .source_ordered = true,
};
