/*
 * op_ties.c - FETCH FIRST n ROWS WITH TIES over sorted rows.
 *
 * Role: transform above a sort, whose rows one worker puts out in order: local state is all there is. The
 * rows up to the limit pass, then those whose sort keys equal the last one's; with the first other row it
 * wants no more input. Memory: the keys of one row; the sort below spills. Order: kept.
 */
#include "engine/exec/operator.h"

typedef struct TiesLocal {
    int64_t seen;
    bool over;    /* a row behind the limit was not equal */
    Vector *last; /* [nkeys] of the last row that the limit lets through */
} TiesLocal;

static int64_t ties_end(const PhysNode *node) {
    int64_t end;
    if (__builtin_add_overflow(node->as.sort.offset, node->as.sort.limit, &end)) end = INT64_MAX;
    return end;
}

static Status ties_remember(OpContext *context, const Batch *in, uint32_t position, Error *err) {
    TiesLocal *self = context->local;
    const PhysNode *node = context->node;
    uint16_t row = (uint16_t)position;
    TRY_ALLOC(self->last, ARENA_ARRAY(context->arena, Vector, node->as.sort.nkeys), err);
    for (uint32_t k = 0; k < node->as.sort.nkeys; k++) {
        const Vector *key = &in->columns[node->as.sort.keys[k].ordinal];
        TRY(vector_new(context->arena, key->type, 1, &self->last[k], err));
        TRY(vector_append(context->arena, &self->last[k], 0, key, &row, 1, err));
    }
    return TRIB_OK;
}

static bool ties_equal(const TiesLocal *self, const PhysNode *node, const Batch *in,
                       uint32_t position) {
    for (uint32_t k = 0; k < node->as.sort.nkeys; k++) {
        const Vector *key = &in->columns[node->as.sort.keys[k].ordinal];
        if (!vector_equal(&self->last[k], 0, key, position)) return false;
    }
    return true;
}

static Status ties_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    TiesLocal *self = context->local;
    const PhysNode *node = context->node;
    int64_t offset = node->as.sort.offset, end = ties_end(node);
    if (node->as.sort.limit == 0) self->over = true;
    uint16_t *selection;
    uint32_t n = 0;
    TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, in->selected), err);
    for (uint32_t i = 0; i < in->selected && !self->over; i++) {
        uint32_t position = batch_row(in, i);
        int64_t index = self->seen++;
        if (index >= end) self->over = !ties_equal(self, node, in, position);
        if (index + 1 == end) TRY(ties_remember(context, in, position, err));
        if (index >= offset && !self->over) selection[n++] = (uint16_t)position;
    }
    *step = self->over ? STEP_FINISHED : STEP_NEED_INPUT;
    if (n == 0) return TRIB_OK;
    TRY(batch_columns(out, in->ncolumns, err));
    if (in->ncolumns) memcpy(out->columns, in->columns, in->ncolumns * sizeof *in->columns);
    out->count = in->count;
    out->selection = selection;
    out->selected = n;
    *step = STEP_LAST_OUTPUT;
    return TRIB_OK;
}

const Operator op_ties = {
    .name = "with ties",
    .local_size = sizeof(TiesLocal),
    .process = ties_process,
};
