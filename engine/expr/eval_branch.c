/*
 * eval_branch.c - CASE, COALESCE, NULLIF: each branch is evaluated for its own rows only.
 *
 * That is both what SQL says about errors of branches that are not taken, and the cheap way. Results
 * of branches are copied into one FLAT vector; where one branch serves all rows, its vector is the
 * result.
 */
#include "engine/expr/eval.h"

#define BLEND(T)                                                                      \
    do {                                                                              \
        T *restrict to = out->vector.data;                                            \
        if (v->form == VECTOR_CONSTANT) {                                             \
            T value = *(const T *)v->data;                                            \
            FOR_SELECTED(selection, count, row, { to[row] = value; });                \
        } else if (v->form == VECTOR_FLAT) {                                          \
            const T *values = v->data;                                                \
            FOR_SELECTED(selection, count, row, { to[row] = values[row]; });          \
        } else {                                                                      \
            FOR_SELECTED(selection, count, row, {                                     \
                if (!vector_is_null(v, row)) to[row] = *(const T *)vector_at(v, row); \
            });                                                                       \
        }                                                                             \
    } while (0)

static Status blend_nested(EvalContext *ctx, EvalResult *out, const EvalResult *from,
                           const uint16_t *selection, uint32_t count) {
    FOR_SELECTED(selection, count, row, {
        Value value;
        if (from->errors != NULL && from->errors[row] != 0) continue;
        TRY(vector_value(ctx->arena, &from->vector, row, &value, ctx->err));
        if (!value.is_null) TRY(vector_set(ctx->arena, &out->vector, row, &value, ctx->err));
    });
    return TRIB_OK;
}

/* The rows of a branch become rows of the result: values, NULLs, errors. */
static Status blend(EvalContext *ctx, EvalResult *out, const EvalResult *from,
                    const uint16_t *selection, uint32_t count) {
    const Vector *v = &from->vector;
    if (type_is_nested(out->vector.type)) {
        TRY(blend_nested(ctx, out, from, selection, count));
    } else {
        switch (physical_size((PhysicalType)out->vector.physical)) {
        case 1: BLEND(uint8_t); break;
        case 2: BLEND(uint16_t); break;
        case 4: BLEND(uint32_t); break;
        case 8: BLEND(uint64_t); break;
        default: BLEND(Instant); break;
        }
    }
    if (v->validity != NULL || v->form == VECTOR_DICTIONARY) {
        TRY(result_need_validity(ctx, out));
        FOR_SELECTED(selection, count, row, {
            if (vector_is_null(v, row)) bitmap_unset(out->vector.validity, row);
        });
    }
    return result_merge_errors(ctx, out, from, selection, count);
}

/* A branch that became the whole result goes by the result's type from now on. */
static Status branch_retype(EvalContext *ctx, Type type, EvalResult *out) {
    if (out->vector.type.id != TRIB_TYPE_UNKNOWN) {
        out->vector.type = type;
        return TRIB_OK;
    }
    EvalResult errors = *out; /* NULL without a type of its own */
    TRY(result_constant_null(ctx, type, out));
    out->errors = errors.errors;
    out->blocks[2] = errors.blocks[2];
    return TRIB_OK;
}

/* CASE and COALESCE while they are evaluated. */
typedef struct Branches {
    EvalContext *ctx;
    EvalResult *out;
    const uint16_t *open; /* rows that no branch has taken */
    uint32_t nopen, total;
    uint16_t *own, *taken;
    bool started; /* out is a vector of our own */
} Branches;

static Status branches_begin(Branches *b, EvalContext *ctx, const uint16_t *selection,
                             uint32_t count, EvalResult *out) {
    *b = (Branches){.ctx = ctx, .out = out, .open = selection, .nopen = count, .total = count};
    memset(out, 0, sizeof(*out));
    TRY_ALLOC(b->own, context_block(ctx, count * sizeof(uint16_t)), ctx->err);
    TRY_ALLOC(b->taken, context_block(ctx, count * sizeof(uint16_t)), ctx->err);
    return TRIB_OK;
}

static Status branches_start(Branches *b, Type type) {
    if (b->started) return TRIB_OK;
    EvalResult errors = *b->out;
    TRY(result_new(b->ctx, type, b->out));
    b->out->errors = errors.errors;
    b->out->blocks[2] = errors.blocks[2];
    b->started = true;
    return TRIB_OK;
}

static void branches_end(Branches *b) {
    context_give_back(b->ctx, b->own);
    context_give_back(b->ctx, b->taken);
}

/* Evaluates a branch for rows and puts them into the result. */
static Status branch_take(Branches *b, EvalNode *branch, const uint16_t *rows, uint32_t count,
                          Type type) {
    EvalResult value;
    if (count == 0) return TRIB_OK;
    bool whole = !b->started && b->out->errors == NULL && count == b->total;
    if (whole) {
        TRY(eval(b->ctx, branch, rows, count, b->out));
        return branch_retype(b->ctx, type, b->out);
    }
    TRY(eval(b->ctx, branch, rows, count, &value));
    TRY(branches_start(b, type));
    TRY(blend(b->ctx, b->out, &value, rows, count));
    result_give_back(b->ctx, &value);
    return TRIB_OK;
}

/* Splits the open rows by a condition: true ones to b->taken, their number in *taken. */
static Status case_split(Branches *b, EvalNode *when, uint32_t *taken) {
    EvalResult condition;
    EvalContext *ctx = b->ctx;
    uint32_t yes = 0, no = 0;
    TRY(eval(ctx, when, b->open, b->nopen, &condition));
    TRY(result_booleans(ctx, &condition, b->open, b->nopen));
    TRY(result_merge_errors(ctx, b->out, &condition, b->open, b->nopen));
    const uint8_t *values = condition.vector.data;
    FOR_SELECTED(b->open, b->nopen, row, {
        bool error = condition.errors != NULL && condition.errors[row] != 0;
        bool pass = !error && !flat_is_null(&condition.vector, row) && values[row] != 0;
        b->taken[yes] = (uint16_t)row;
        yes += pass;
        b->own[no] = (uint16_t)row;
        no += !pass && !error;
    });
    result_give_back(ctx, &condition);
    b->open = b->own;
    b->nopen = no;
    *taken = yes;
    return TRIB_OK;
}

Status eval_case(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                 EvalResult *out) {
    Branches b;
    Type type = node->expr->type;
    TRY(branches_begin(&b, ctx, selection, count, out));
    for (uint32_t i = 0; i + 1 < node->nargs && b.nopen > 0; i += 2) {
        uint32_t taken;
        TRY(case_split(&b, node->args[i], &taken));
        TRY(branch_take(&b, node->args[i + 1], b.taken, taken, type));
    }
    TRY(branch_take(&b, node->args[node->nargs - 1], b.open, b.nopen, type));
    if (out->vector.data == NULL && out->vector.children == NULL) TRY(branches_start(&b, type));
    branches_end(&b);
    return TRIB_OK;
}

Status eval_coalesce(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                     EvalResult *out) {
    Branches b;
    TRY(branches_begin(&b, ctx, selection, count, out));
    for (uint32_t i = 0; i < node->nargs && b.nopen > 0; i++) {
        EvalResult value;
        uint32_t left = 0;
        TRY(eval(ctx, node->args[i], b.open, b.nopen, &value));
        const Vector *v = &value.vector;
        FOR_SELECTED(b.open, b.nopen, row, {
            bool error = value.errors != NULL && value.errors[row] != 0;
            b.taken[left] = (uint16_t)row;
            left += !error && vector_is_null(v, row);
        });
        if (!b.started && left == 0) { /* the first argument serves all rows */
            *out = value;
            TRY(branch_retype(ctx, node->expr->type, out));
            break;
        }
        TRY(branches_start(&b, node->expr->type));
        if (out->vector.validity != NULL) { /* NULL so far */
            FOR_SELECTED(b.open, b.nopen, row, { bitmap_set(out->vector.validity, row); });
        }
        TRY(blend(ctx, out, &value, b.open, b.nopen));
        result_give_back(ctx, &value);
        uint16_t *swap = b.own;
        b.own = b.taken;
        b.taken = swap;
        b.open = b.own;
        b.nopen = left;
    }
    branches_end(&b);
    return TRIB_OK;
}

/* The first argument, NULL where the comparison of both is true. */
Status eval_nullif(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                   EvalResult *out) {
    EvalResult value, equal;
    TRY(eval(ctx, node->args[0], selection, count, &value));
    TRY(eval(ctx, node->args[2], selection, count, &equal));
    TRY(result_booleans(ctx, &equal, selection, count));
    TRY(result_new(ctx, node->expr->type, out));
    TRY(blend(ctx, out, &value, selection, count));
    TRY(result_merge_errors(ctx, out, &equal, selection, count));
    const uint8_t *same = equal.vector.data;
    TRY(result_need_validity(ctx, out));
    FOR_SELECTED(selection, count, row, {
        if (same[row] && !flat_is_null(&equal.vector, row)) {
            bitmap_unset(out->vector.validity, row);
        }
    });
    result_give_back(ctx, &value);
    result_give_back(ctx, &equal);
    return TRIB_OK;
}
