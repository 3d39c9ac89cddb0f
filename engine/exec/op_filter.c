/*
 * op_filter.c - keeps the rows for which all conjuncts are true.
 *
 * Role: transform, parallel, no memory, keeps order. Narrows the selection; columns are passed on
 * untouched. Conjuncts that cannot raise come first (the planner's order), so that a raising one sees
 * only rows that the others let through.
 */
#include "engine/exec/operator.h"

typedef struct FilterLocal {
    Evaluator *evaluator;
} FilterLocal;

static Status filter_local_open(OpContext *context, Error *err) {
    FilterLocal *self = context->local;
    const PhysNode *node = context->node;
    return evaluator_new(context->arena, context->query->session, node->as.filter.nconjuncts,
                         (const Expr *const *)node->as.filter.conjuncts, &self->evaluator, err);
}

static Status filter_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    FilterLocal *self = context->local;
    const PhysNode *node = context->node;
    evaluator_reset(self->evaluator);
    TRY(batch_columns(out, in->ncolumns, err));
    if (in->ncolumns) memcpy(out->columns, in->columns, in->ncolumns * sizeof *in->columns);
    uint16_t *selection;
    TRY_ALLOC(selection, ARENA_ARRAY(out->arena, uint16_t, in->selected), err);
    out->count = in->count;
    out->selection = in->selection;
    out->selected = in->selected;
    for (uint32_t i = 0; i < node->as.filter.nconjuncts && out->selected > 0; i++) {
        uint32_t count;
        TRY(evaluator_filter(self->evaluator, i, out, selection, &count, err));
        out->selection = selection;
        out->selected = count;
    }
    *step = out->selected ? STEP_LAST_OUTPUT : STEP_NEED_INPUT;
    return TRIB_OK;
}

const Operator op_filter = {
    .name = "filter",
    .local_size = sizeof(FilterLocal),
    .local_open = filter_local_open,
    .process = filter_process,
};
