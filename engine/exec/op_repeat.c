/*
 * op_repeat.c - puts out each row as often as its count says: INTERSECT ALL, EXCEPT ALL.
 *
 * Role: transform, parallel, no memory of its own. A row whose count is not above zero is dropped. Output
 * columns are dictionaries over those of the input. Order: kept.
 */
#include "engine/exec/operator.h"

typedef struct RepeatLocal {
    uint32_t row;  /* the next of the input's selection */
    int64_t given; /* copies of it that are out */
} RepeatLocal;

/* Fills in positions of the next batch; returns how many. */
static uint32_t repeat_rows(RepeatLocal *self, const PhysNode *node, const Batch *in,
                            uint32_t *rows, uint32_t most) {
    const Vector *counts = &in->columns[node->as.repeat.count];
    uint32_t n = 0;
    while (self->row < in->selected && n < most) {
        uint32_t position = batch_row(in, self->row);
        int64_t count = 0;
        if (!vector_is_null(counts, position))
            count = *(const int64_t *)vector_at(counts, position);
        int64_t left = count - self->given;
        while (left > 0 && n < most) {
            rows[n++] = position;
            self->given++;
            left--;
        }
        if (left > 0) break;
        self->row++;
        self->given = 0;
    }
    return n;
}

static Status repeat_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    RepeatLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t *rows, most = context->query->batch_rows;
    TRY_ALLOC(rows, ARENA_ARRAY(out->arena, uint32_t, most), err);
    uint32_t n = repeat_rows(self, node, in, rows, most);
    bool done = self->row >= in->selected;
    if (done) *self = (RepeatLocal){0};
    *step = n == 0 ? STEP_NEED_INPUT : done ? STEP_LAST_OUTPUT : STEP_HAVE_OUTPUT;
    if (n == 0) return TRIB_OK;
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t i = 0; i < node->ncolumns; i++) {
        const Vector *column = &in->columns[node->as.repeat.columns[i]];
        TRY(vector_gather(out->arena, column, rows, n, &out->columns[i], err));
    }
    out->count = out->selected = n;
    return TRIB_OK;
}

const Operator op_repeat = {
    .name = "repeat",
    .local_size = sizeof(RepeatLocal),
    .process = repeat_process,
};
