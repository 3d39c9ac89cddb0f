/*
 * eval_lambda.c - bodies of lambdas, for the kernels that call them.
 *
 * A kernel hands over the elements of many rows at once; the body is evaluated over them as over any
 * batch. What the body uses of the row around it (columns, parameters of lambdas further out) is gathered
 * by the rows that the elements belong to, and nothing else. Memory is the arena that the kernel gives:
 * it decides how long results live. Errors are returned by element; the kernel decides which of them
 * count.
 */
#include "engine/expr/eval.h"
#include "engine/functions/nested.h"

/* What a body uses from around its lambda. */
struct LambdaFrame {
    uint32_t ncolumns;
    uint32_t *columns; /* ordinals, each once */
    uint32_t ncolumn_slots;
    uint32_t nlevels; /* lambdas further out that it uses parameters of: 1 .. nlevels */
};

/* ---------------------------------------------------------------- preparing */

static Status column_note(Evaluator *self, LambdaFrame *frame, uint32_t ordinal, Error *err) {
    for (uint32_t i = 0; i < frame->ncolumns; i++) {
        if (frame->columns[i] == ordinal) return TRIB_OK;
    }
    uint32_t *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(self->arena, uint32_t, frame->ncolumns + 1), err);
    if (frame->ncolumns > 0) memcpy(columns, frame->columns, frame->ncolumns * sizeof(uint32_t));
    columns[frame->ncolumns++] = ordinal;
    frame->columns = columns;
    if (ordinal >= frame->ncolumn_slots) frame->ncolumn_slots = ordinal + 1;
    return TRIB_OK;
}

/* `inside`: lambdas between the body and this node. */
static Status captures_find(Evaluator *self, LambdaFrame *frame, const Expr *e, uint32_t inside,
                            Error *err) {
    if (e->kind == EXPR_COLUMN) return column_note(self, frame, e->as.ordinal, err);
    if (e->kind == EXPR_VARIABLE && e->as.variable.depth > inside) {
        uint32_t level = e->as.variable.depth - inside;
        if (level > frame->nlevels) frame->nlevels = level;
    }
    for (uint32_t i = 0; i < e->nargs; i++)
        TRY(captures_find(self, frame, e->args[i], inside + (e->kind == EXPR_LAMBDA), err));
    return TRIB_OK;
}

Status lambda_prepare(Evaluator *self, EvalNode *node, Error *err) {
    LambdaFrame *frame;
    TRY_ALLOC(frame, ARENA_NEW(self->arena, LambdaFrame), err);
    TRY(captures_find(self, frame, node->expr->args[0], 0, err));
    node->lambda = frame;
    node->column = NO_COLUMN;
    if (frame->ncolumns == 1) node->column = frame->columns[0];
    if (frame->ncolumns > 1 || frame->nlevels > 0) node->column = MANY_COLUMNS;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- evaluating */

static Status value_gather(EvalContext *inner, const Vector *from, const uint32_t *rows,
                           Vector *out) {
    if (from->form == VECTOR_CONSTANT) {
        *out = *from;
        return TRIB_OK;
    }
    return vector_gather(inner->arena, from, rows, inner->positions, out, inner->err);
}

static Status columns_gather(EvalContext *inner, const EvalContext *outer, const LambdaFrame *frame,
                             const uint32_t *rows) {
    Vector *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(inner->arena, Vector, frame->ncolumn_slots), inner->err);
    for (uint32_t i = 0; i < frame->ncolumns; i++) {
        uint32_t ordinal = frame->columns[i];
        if (ordinal >= outer->ncolumns)
            return error_set(inner->err, ERR_GENERAL, "a lambda reads a column that is not there");
        TRY(value_gather(inner, &outer->columns[ordinal], rows, &columns[ordinal]));
    }
    inner->columns = columns;
    inner->ncolumns = frame->ncolumn_slots;
    return TRIB_OK;
}

/* The parameters of the lambdas further out, as far as they are used. */
static Status variables_gather(EvalContext *inner, const EvalContext *outer, uint32_t levels,
                               const uint32_t *rows, const Variables **out) {
    const Variables **link = out;
    *out = NULL;
    for (const Variables *v = outer->variables; levels > 0; levels--, v = v->outer) {
        Variables *copy;
        Vector *values;
        TRY_ALLOC(copy, ARENA_NEW(inner->arena, Variables), inner->err);
        TRY_ALLOC(values, ARENA_ARRAY(inner->arena, Vector, v->count), inner->err);
        for (uint32_t i = 0; i < v->count; i++)
            TRY(value_gather(inner, &v->values[i], rows, &values[i]));
        *copy = (Variables){.count = v->count, .values = values};
        *link = copy;
        link = &copy->outer;
    }
    return TRIB_OK;
}

/* The row is computed once more for its message: the element that raised says what is wrong. */
static Status lambda_explain(const EvalContext *outer, EvalContext *inner, EvalNode *body,
                             const uint8_t *errors, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (errors[i] == outer->explained_error) return eval_raise(inner, body, i, errors[i]);
    }
    return TRIB_OK;
}

Status kernel_lambda(KernelCall *call, uint32_t arg, Arena *arena, uint32_t count,
                     const uint32_t *rows, const Vector *params, Vector *result, uint8_t *errors) {
    const CallSite *site = call->frame;
    EvalNode *node = site->node->args[arg];
    const LambdaFrame *frame = node->lambda;
    Variables variables = {.count = node->expr->type.fields->count - 1, .values = params};
    EvalContext inner = {.evaluator = site->ctx->evaluator,
                         .positions = count,
                         .arena = arena,
                         .variables = &variables,
                         .err = call->err};
    EvalResult out;
    TRY(columns_gather(&inner, site->ctx, frame, rows));
    TRY(variables_gather(&inner, site->ctx, frame->nlevels, rows, &variables.outer));
    TRY(eval(&inner, node->args[0], NULL, count, &out));
    *result = out.vector;
    if (out.errors == NULL) {
        memset(errors, 0, count);
        return TRIB_OK;
    }
    memcpy(errors, out.errors, count);
    if (call->explain == NULL) return TRIB_OK;
    return lambda_explain(site->ctx, &inner, node->args[0], errors, count);
}
