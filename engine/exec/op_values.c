/*
 * op_values.c - rows written in the statement: VALUES, SELECT without FROM.
 *
 * Role: source, one worker (keeps the written order). Each call evaluates up to a batch of rows; an
 * expression is evaluated over a batch of one position without columns.
 */
#include "engine/exec/operator.h"

typedef struct ValuesLocal {
    uint32_t next;
    Evaluator *evaluator;
    Batch empty; /* one row, no columns */
} ValuesLocal;

static Status values_local_open(OpContext *context, Error *err) {
    ValuesLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t n = node->as.values.nrows * node->ncolumns;
    const Expr **exprs;
    TRY_ALLOC(exprs, ARENA_ARRAY(context->arena, const Expr *, n), err);
    for (uint32_t r = 0; r < node->as.values.nrows; r++) {
        for (uint32_t c = 0; c < node->ncolumns; c++)
            exprs[r * node->ncolumns + c] = node->as.values.rows[r][c];
    }
    Arena *arena;
    TRY_ALLOC(arena, arena_new(context->arena), err);
    batch_init(&self->empty, arena);
    self->empty.count = self->empty.selected = 1;
    return evaluator_new(context->arena, context->query->session, n, exprs, &self->evaluator, err);
}

static Status values_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    ValuesLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t rows = node->as.values.nrows - self->next;
    if (rows == 0) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    if (rows > context->query->batch_rows) rows = context->query->batch_rows;
    TRY(batch_columns(out, node->ncolumns, err));
    evaluator_reset(self->evaluator);
    for (uint32_t c = 0; c < node->ncolumns; c++) {
        TRY(vector_new(out->arena, node->types[c], rows, &out->columns[c], err));
        for (uint32_t r = 0; r < rows; r++) {
            Vector one;
            Value value;
            TRY(evaluator_run(self->evaluator, (self->next + r) * node->ncolumns + c, &self->empty,
                              &one, err));
            TRY(vector_value(out->arena, &one, 0, &value, err));
            TRY(vector_set(out->arena, &out->columns[c], r, &value, err));
        }
    }
    out->count = out->selected = rows;
    self->next += rows;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

const Operator op_values = {
    .name = "values",
    .local_size = sizeof(ValuesLocal),
    .local_open = values_local_open,
    .produce = values_produce,
    .source_ordered = true,
};
