/*
 * eval_logic.c - AND, OR, NOT, IS NULL, TRY over vectors, in three-valued logic.
 *
 * AND and OR evaluate each argument only for the rows that the ones before left undecided; an error
 * counts only where it was reached. Arguments that cannot raise go first.
 */
#include "engine/expr/eval.h"

/* AND and OR while their arguments are evaluated. */
typedef struct Chain {
    EvalContext *ctx;
    EvalResult *out;
    uint8_t deciding; /* the value that ends the chain: 0 for AND, 1 for OR */
    uint16_t *open;   /* rows not decided yet */
    uint32_t nopen;
} Chain;

/* No NULLs and no errors: two stores a row and no branch. */
static void chain_plain(Chain *c, const uint8_t *values, const uint16_t *selection) {
    uint8_t *result = c->out->vector.data;
    uint8_t deciding = c->deciding;
    uint16_t *open = c->open;
    uint32_t n = 0;
    FOR_SELECTED(selection, c->nopen, row, {
        uint8_t decided = (values[row] != 0) == deciding;
        result[row] = decided ? deciding : result[row];
        open[n] = (uint16_t)row;
        n += !decided;
    });
    c->nopen = n;
}

static Status chain_general(Chain *c, const EvalResult *arg, const uint16_t *selection) {
    const Vector *v = &arg->vector;
    const uint8_t *values = v->data;
    uint8_t *result = c->out->vector.data;
    uint32_t n = 0;
    TRY(result_need_validity(c->ctx, c->out));
    if (arg->errors != NULL) TRY(result_need_errors(c->ctx, c->out));
    uint64_t *validity = c->out->vector.validity;
    FOR_SELECTED(selection, c->nopen, row, {
        if (arg->errors != NULL && arg->errors[row] != 0) {
            c->out->errors[row] = arg->errors[row];
            continue;
        }
        bool null = flat_is_null(v, row);
        if (!null && (values[row] != 0) == c->deciding) {
            result[row] = c->deciding;
            bitmap_set(validity, row); /* it may have been NULL so far */
            continue;
        }
        if (null) bitmap_unset(validity, row);
        c->open[n++] = (uint16_t)row;
    });
    c->nopen = n;
    return TRIB_OK;
}

static Status chain_argument(Chain *c, EvalNode *arg, const uint16_t *selection) {
    EvalResult value;
    TRY(eval(c->ctx, arg, selection, c->nopen, &value));
    TRY(result_booleans(c->ctx, &value, selection, c->nopen));
    if (value.errors == NULL && value.vector.validity == NULL && c->out->vector.validity == NULL) {
        chain_plain(c, value.vector.data, selection);
    } else {
        TRY(chain_general(c, &value, selection));
    }
    result_give_back(c->ctx, &value);
    return TRIB_OK;
}

Status eval_chain(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                  EvalResult *out) {
    Chain c = {.ctx = ctx, .out = out, .deciding = node->expr->kind == EXPR_OR, .nopen = count};
    TRY(result_new(ctx, TYPE(BOOLEAN), out));
    TRY_ALLOC(c.open, context_block(ctx, count * sizeof(uint16_t)), ctx->err);
    memset(out->vector.data, !c.deciding, ctx->positions);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < node->nargs && c.nopen > 0; i++) {
            if (node->args[i]->expr->may_raise != (pass == 1)) continue;
            TRY(chain_argument(&c, node->args[i], selection));
            selection = c.open;
        }
    }
    context_give_back(ctx, c.open);
    return TRIB_OK;
}

Status eval_not(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                EvalResult *out) {
    EvalResult value;
    TRY(eval(ctx, node->args[0], selection, count, &value));
    TRY(result_booleans(ctx, &value, selection, count));
    TRY(result_new(ctx, TYPE(BOOLEAN), out));
    const uint8_t *from = value.vector.data;
    uint8_t *to = out->vector.data;
    FOR_SELECTED(selection, count, row, { to[row] = from[row] == 0; });
    if (value.vector.validity != NULL) {
        TRY(result_need_validity(ctx, out));
        memcpy(out->vector.validity, value.vector.validity,
               bitmap_words(ctx->positions) * sizeof(uint64_t));
    }
    TRY(result_merge_errors(ctx, out, &value, selection, count));
    result_give_back(ctx, &value);
    return TRIB_OK;
}

Status eval_is_null(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                    EvalResult *out) {
    EvalResult value;
    bool negated = node->expr->negated;
    TRY(eval(ctx, node->args[0], selection, count, &value));
    TRY(result_new(ctx, TYPE(BOOLEAN), out));
    const Vector *v = &value.vector;
    uint8_t *to = out->vector.data;
    if (v->form == VECTOR_CONSTANT) {
        memset(to, vector_is_null(v, 0) != negated, ctx->positions);
    } else if (v->form == VECTOR_FLAT && v->validity == NULL) {
        memset(to, negated, ctx->positions);
    } else {
        FOR_SELECTED(selection, count, row, { to[row] = vector_is_null(v, row) != negated; });
    }
    TRY(result_merge_errors(ctx, out, &value, selection, count));
    result_give_back(ctx, &value);
    return TRIB_OK;
}

/* Rows that raised become NULL. The argument's own vector may be a column: its validity is copied. */
Status eval_try(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                EvalResult *out) {
    EvalResult value;
    TRY(eval(ctx, node->args[0], selection, count, &value));
    *out = value;
    if (value.errors == NULL) return TRIB_OK;
    out->errors = NULL;
    if (value.vector.form == VECTOR_CONSTANT) {
        TRY(vector_flatten(ctx->arena, &value.vector, selection, count, ctx->positions,
                           &out->vector, ctx->err));
    }
    const uint64_t *old = out->vector.validity;
    size_t bytes = bitmap_words(ctx->positions) * sizeof(uint64_t);
    uint64_t *validity;
    TRY_ALLOC(validity, context_block(ctx, bytes), ctx->err);
    if (old != NULL) {
        memcpy(validity, old, bytes);
    } else {
        memset(validity, 0xff, bytes);
    }
    FOR_SELECTED(selection, count, row, {
        if (value.errors[row] != 0) bitmap_unset(validity, row);
    });
    out->vector.validity = validity;
    return TRIB_OK;
}
