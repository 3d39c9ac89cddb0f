/*
 * op_project.c - computes columns; op_expand - computes them several times per row.
 *
 * Role: transform, parallel, no memory, keeps order. A plain column is passed on as it is. EXPAND puts
 * out each input batch once per set of expressions (grouping sets, several DISTINCT aggregates).
 */
#include "engine/exec/operator.h"

typedef struct ProjectLocal {
    Evaluator *evaluator;
    uint32_t set; /* EXPAND: the next set */
} ProjectLocal;

static Status project_local_open(OpContext *context, Error *err) {
    ProjectLocal *self = context->local;
    const PhysNode *node = context->node;
    return evaluator_new(context->arena, context->query->session, node->ncolumns,
                         (const Expr *const *)node->as.project.exprs, &self->evaluator, err);
}

/* Evaluates `count` expressions from index `first` over the input's rows. */
static Status project_columns(Evaluator *evaluator, uint32_t first, uint32_t count, const Batch *in,
                              Batch *out, Error *err) {
    evaluator_reset(evaluator);
    TRY(batch_columns(out, count, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(evaluator_run(evaluator, first + i, in, &out->columns[i], err));
    out->count = in->count;
    out->selection = in->selection;
    out->selected = in->selected;
    return TRIB_OK;
}

static Status project_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    ProjectLocal *self = context->local;
    TRY(project_columns(self->evaluator, 0, context->node->ncolumns, in, out, err));
    *step = STEP_LAST_OUTPUT;
    return TRIB_OK;
}

const Operator op_project = {
    .name = "project",
    .local_size = sizeof(ProjectLocal),
    .local_open = project_local_open,
    .process = project_process,
};

static Status expand_local_open(OpContext *context, Error *err) {
    ProjectLocal *self = context->local;
    const PhysNode *node = context->node;
    uint32_t n = node->as.expand.nsets * node->ncolumns;
    const Expr **exprs;
    TRY_ALLOC(exprs, ARENA_ARRAY(context->arena, const Expr *, n), err);
    for (uint32_t s = 0; s < node->as.expand.nsets; s++) {
        for (uint32_t i = 0; i < node->ncolumns; i++)
            exprs[s * node->ncolumns + i] = node->as.expand.sets[s][i];
    }
    return evaluator_new(context->arena, context->query->session, n, exprs, &self->evaluator, err);
}

static Status expand_process(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    ProjectLocal *self = context->local;
    const PhysNode *node = context->node;
    TRY(project_columns(self->evaluator, self->set * node->ncolumns, node->ncolumns, in, out, err));
    self->set++;
    *step = STEP_HAVE_OUTPUT;
    if (self->set == node->as.expand.nsets) {
        self->set = 0;
        *step = STEP_LAST_OUTPUT;
    }
    return TRIB_OK;
}

const Operator op_expand = {
    .name = "expand",
    .local_size = sizeof(ProjectLocal),
    .local_open = expand_local_open,
    .process = expand_process,
};
