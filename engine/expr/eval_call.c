/*
 * eval_call.c - function calls and casts: arguments, NULLs, errors, then the kernel.
 *
 * Arguments are evaluated from left to right; rows in which one raised, or is NULL where the function
 * propagates NULL, need not be looked at by what follows. Kernels of plain numbers run over such rows
 * all the same, because dense loops are faster than long selections; whatever they raise there is
 * dropped.
 */
#include "engine/expr/eval.h"

#define ARGS_ON_STACK 4

/* A call while its arguments are gathered. */
typedef struct CallFrame {
    EvalContext *ctx;
    EvalNode *node;
    EvalResult *args;
    const uint16_t *rows; /* still to compute */
    uint32_t nrows;
    uint16_t *narrowed; /* own memory of rows */
    bool propagates;    /* NULL in, NULL out */
    bool has_null_constant, all_constant;
} CallFrame;

static Status frame_narrow(CallFrame *f, const EvalResult *arg, bool drop_nulls) {
    if (f->narrowed == NULL) {
        TRY_ALLOC(f->narrowed, context_block(f->ctx, f->nrows * sizeof(uint16_t)), f->ctx->err);
    }
    f->nrows = rows_alive(arg, drop_nulls, f->rows, f->nrows, f->narrowed);
    f->rows = f->narrowed;
    return TRIB_OK;
}

static bool later_raises(const EvalNode *node, uint32_t from) {
    for (uint32_t i = from; i < node->nargs; i++) {
        if (node->args[i]->expr->kind == EXPR_LAMBDA) continue;
        if (node->args[i]->expr->may_raise) return true;
    }
    return false;
}

/* Evaluates the arguments; their errors go to out. */
static Status frame_arguments(CallFrame *f, EvalResult *out) {
    EvalNode *node = f->node;
    f->all_constant = node->nargs > 0 && !node->expr->is_volatile;
    for (uint32_t i = 0; i < node->nargs; i++) {
        EvalResult *arg = &f->args[i];
        if (node->args[i]->expr->kind == EXPR_LAMBDA) {
            arg->vector = (Vector){.type = node->args[i]->expr->type, .form = VECTOR_CONSTANT};
            f->all_constant = f->all_constant && node->args[i]->column == NO_COLUMN;
            continue;
        }
        TRY(eval(f->ctx, node->args[i], f->rows, f->nrows, arg));
        const Vector *v = &arg->vector;
        bool constant = v->form == VECTOR_CONSTANT;
        bool null_constant = constant && vector_is_null(v, 0);
        bool nulls = !constant && (v->validity != NULL || v->form == VECTOR_DICTIONARY);
        f->all_constant = f->all_constant && constant;
        bool drop_nulls =
            f->propagates && nulls && (!node->dense_nulls || later_raises(node, i + 1));
        if (arg->errors != NULL) {
            TRY(result_merge_errors(f->ctx, out, arg, f->rows, f->nrows));
        }
        if (arg->errors != NULL || drop_nulls) TRY(frame_narrow(f, arg, drop_nulls));
        if (null_constant && f->propagates) {
            f->has_null_constant = true;
            return TRIB_OK; /* the rest does not matter any more */
        }
    }
    return TRIB_OK;
}

/* Plain kernels over nearly all rows run over all of them: a dense loop beats a long selection, and
 * what stands in the other rows is computed for nobody. */
static void frame_widen(CallFrame *f) {
    if (f->rows == NULL || !f->node->dense_nulls) return;
    if (f->nrows < f->ctx->positions - f->ctx->positions / 4) return;
    f->rows = NULL;
    f->nrows = f->ctx->positions;
}

/* The result is NULL where an argument is. */
static Status frame_validity(CallFrame *f, EvalResult *out) {
    for (uint32_t i = 0; i < f->node->nargs && f->propagates; i++) {
        const Vector *v = &f->args[i].vector;
        if (v->form != VECTOR_FLAT || v->validity == NULL) continue;
        TRY(result_need_validity(f->ctx, out));
        for (size_t w = 0; w < bitmap_words(f->ctx->positions); w++) {
            out->vector.validity[w] &= v->validity[w];
        }
    }
    return TRIB_OK;
}

static KernelCall frame_call(CallFrame *f, const Vector *vectors, EvalResult *out, CallSite *site) {
    const Expr *e = f->node->expr;
    return (KernelCall){.function = e->kind == EXPR_CALL ? e->as.function : NULL,
                        .nargs = f->node->nargs,
                        .args = vectors,
                        .selection = f->rows,
                        .count = f->nrows,
                        .positions = f->ctx->positions,
                        .result_type = e->type,
                        .result = &out->vector,
                        .errors = out->errors,
                        .arena = f->ctx->arena,
                        .state = f->node->state,
                        .session = f->ctx->evaluator->session,
                        .frame = site,
                        .explain = f->ctx->explained == f->node ? f->ctx->explain : NULL,
                        .err = f->ctx->err};
}

/* Errors of rows that are NULL anyway go; TRY_CAST turns the others into NULL. */
static Status frame_errors(CallFrame *f, EvalResult *out, bool had_errors) {
    bool absorb = f->node->expr->kind == EXPR_CAST && f->node->expr->try_cast;
    if (errors_any(out->errors, f->rows, f->nrows)) {
        if (absorb) TRY(result_need_validity(f->ctx, out));
        FOR_SELECTED(f->rows, f->nrows, row, {
            if (out->errors[row] == 0) continue;
            if (absorb) bitmap_unset(out->vector.validity, row);
            if (flat_is_null(&out->vector, row)) out->errors[row] = 0;
        });
        had_errors = had_errors || errors_any(out->errors, f->rows, f->nrows);
    }
    if (had_errors) return TRIB_OK;
    context_give_back(f->ctx, out->blocks[2]);
    out->blocks[2] = NULL;
    out->errors = NULL;
    return TRIB_OK;
}

static Status frame_kernel(CallFrame *f, const Vector *vectors, EvalResult *out) {
    EvalResult errors = *out; /* of the arguments */
    bool had_errors = errors.errors != NULL;
    TRY(result_new(f->ctx, f->node->expr->type, out));
    out->errors = errors.errors;
    out->blocks[2] = errors.blocks[2];
    TRY(result_need_errors(f->ctx, out));
    TRY(frame_validity(f, out));
    CallFrame wide = *f;
    frame_widen(&wide);
    CallSite site = {f->ctx, f->node};
    KernelCall call = frame_call(&wide, vectors, out, &site);
    TRY(f->node->kernel(&call));
    return frame_errors(f, out, had_errors);
}

/* All arguments are the same in every row: one row is computed. */
static Status frame_constant(CallFrame *f, const Vector *vectors, EvalResult *out) {
    EvalContext one = *f->ctx;
    CallFrame inner = *f;
    EvalResult result = {0};
    one.positions = 1;
    one.pooled = false;
    inner.ctx = &one;
    inner.rows = NULL;
    inner.nrows = 1;
    TRY(frame_kernel(&inner, vectors, &result));
    out->vector = result.vector;
    out->vector.form = VECTOR_CONSTANT;
    uint8_t error = result.errors != NULL ? result.errors[0] : 0;
    if (error == 0) return TRIB_OK;
    TRY(result_need_errors(f->ctx, out));
    FOR_SELECTED(f->rows, f->nrows, row, { out->errors[row] = error; });
    return TRIB_OK;
}

/* The value stays, the type gets another name, also inside a dictionary. */
static Status eval_renaming(EvalContext *ctx, EvalNode *node, const uint16_t *selection,
                            uint32_t count, EvalResult *out) {
    TRY(eval(ctx, node->args[0], selection, count, out));
    return vector_retype(ctx->arena, &out->vector, node->expr->type, ctx->err);
}

static Status frame_finish(CallFrame *f, EvalResult *out) {
    Vector on_stack[ARGS_ON_STACK], *vectors = on_stack;
    uint32_t nargs = f->node->nargs;
    bool unknown = f->node->kernel == NULL; /* a cast of the type of NULL */
    if (f->has_null_constant || unknown || (f->nrows == 0 && !f->all_constant)) {
        EvalResult errors = *out;
        TRY(result_constant_null(f->ctx, f->node->expr->type, out));
        out->errors = errors.errors;
        out->blocks[2] = errors.blocks[2];
        return TRIB_OK;
    }
    if (nargs > ARGS_ON_STACK) {
        TRY_ALLOC(vectors, ARENA_ARRAY(f->ctx->arena, Vector, nargs), f->ctx->err);
    }
    for (uint32_t i = 0; i < nargs; i++) {
        TRY(result_flatten(f->ctx, &f->args[i], f->rows, f->nrows));
        vectors[i] = f->args[i].vector;
    }
    return f->all_constant ? frame_constant(f, vectors, out) : frame_kernel(f, vectors, out);
}

Status eval_call(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                 EvalResult *out) {
    if (node->renaming) return eval_renaming(ctx, node, selection, count, out);
    EvalResult on_stack[ARGS_ON_STACK];
    CallFrame f = {.ctx = ctx, .node = node, .args = on_stack, .rows = selection, .nrows = count};
    f.propagates =
        node->expr->kind == EXPR_CAST || node->expr->as.function->nulls == NULLS_PROPAGATE;
    memset(out, 0, sizeof(*out));
    if (node->nargs > ARGS_ON_STACK) {
        TRY_ALLOC(f.args, ARENA_ARRAY(ctx->arena, EvalResult, node->nargs), ctx->err);
    } else {
        memset(on_stack, 0, sizeof(on_stack));
    }
    TRY(frame_arguments(&f, out));
    TRY(frame_finish(&f, out));
    for (uint32_t i = 0; i < node->nargs; i++) result_give_back(ctx, &f.args[i]);
    context_give_back(ctx, f.narrowed);
    return TRIB_OK;
}
