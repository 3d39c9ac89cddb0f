/*
 * unwrap_casts.c - CAST(column AS wider type) = literal becomes column = literal.
 *
 * The binder widens the column when a literal is of a wider type (smallint = integer, decimal(10,2) >
 * decimal(12,3)); a source could then not use its index. Where the cast loses nothing and keeps the
 * order, and the literal converts to the column's type and back unchanged, the comparison is the same
 * without the cast. Otherwise it stays.
 */
#include "engine/optimise/rule.h"

static bool is_comparison(const Expr *e) {
    if (e->kind != EXPR_CALL) return false;
    uint16_t id = e->as.function->id;
    return (id >= TRIB_FN_eq && id <= TRIB_FN_ge) || id == TRIB_FN_is_distinct_from;
}

/* Injective and monotonic for every value? */
static bool lossless(Type from, Type to) {
    if (type_is_integer(from)) {
        if (type_is_integer(to)) return type_integer_digits(from) <= type_integer_digits(to);
        if (to.id == TRIB_TYPE_DECIMAL) return to.precision - to.scale >= type_integer_digits(from);
        return to.id == TRIB_TYPE_DOUBLE && from.id != TRIB_TYPE_BIGINT;
    }
    if (from.id == TRIB_TYPE_DECIMAL && to.id == TRIB_TYPE_DECIMAL) {
        return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
    }
    if (from.id == TRIB_TYPE_VARCHAR && to.id == TRIB_TYPE_VARCHAR) {
        return to.length == 0 || (from.length != 0 && from.length <= to.length);
    }
    if (from.id == TRIB_TYPE_REAL) return to.id == TRIB_TYPE_DOUBLE;
    if (from.id == TRIB_TYPE_TIMESTAMP && to.id == TRIB_TYPE_TIMESTAMP)
        return to.precision >= from.precision;
    return false;
}

static bool unwrappable(const Expr *cast) {
    return cast->kind == EXPR_CAST && !cast->try_cast && lossless(cast->args[0]->type, cast->type);
}

/* The literal in the narrower type; *out NULL if it does not survive the way there and back. */
static Status narrow(RuleContext *context, const Expr *constant, Type type, Expr **out) {
    const EvalSession *session = context->options->session;
    Value narrowed, back;
    Error ignored; /* a value that does not fit is not an error here */
    *out = NULL;
    if (type.id == TRIB_TYPE_VARCHAR) { /* every text compares with every text */
        narrowed = constant->as.value;
        narrowed.type = type_varchar(0);
        TRY_ALLOC(*out, expr_constant(context->arena, narrowed), context->err);
        return TRIB_OK;
    }
    if (value_cast(context->arena, session, &constant->as.value, type, &narrowed, &ignored) !=
        TRIB_OK)
        return TRIB_OK;
    if (value_cast(context->arena, session, &narrowed, constant->type, &back, &ignored) != TRIB_OK)
        return TRIB_OK;
    if (!value_equal(&back, &constant->as.value)) return TRIB_OK;
    TRY_ALLOC(*out, expr_constant(context->arena, narrowed), context->err);
    return TRIB_OK;
}

static Status unwrap_comparison(RuleContext *context, Expr *e, Expr **out) {
    *out = e;
    for (uint32_t i = 0; i < 2; i++) {
        Expr *cast = e->args[i], *constant = e->args[1 - i];
        if (!unwrappable(cast) || constant->kind != EXPR_CONSTANT || constant->as.value.is_null)
            continue;
        Expr *narrowed;
        TRY(narrow(context, constant, cast->args[0]->type, &narrowed));
        if (!narrowed) continue;
        Expr *args[2];
        args[i] = cast->args[0];
        args[1 - i] = narrowed;
        Type types[2] = {args[0]->type, args[1]->type};
        ResolvedFunction f;
        TRY(function_resolve_id(context->arena, (TribFunctionId)e->as.function->id, 2, types, &f,
                                context->err));
        for (uint32_t a = 0; a < 2; a++) {
            /* texts of other lengths meet in their common type; that cast is free */
            if (args[a]->kind == EXPR_CONSTANT && !type_equal(args[a]->type, f.args[a])) {
                Value value = args[a]->as.value;
                value.type = f.args[a];
                TRY_ALLOC(args[a], expr_constant(context->arena, value), context->err);
            } else if (!type_equal(args[a]->type, f.args[a]) && f.args[a].id != TRIB_TYPE_VARCHAR) {
                return TRIB_OK;
            }
        }
        TRY_ALLOC(*out, expr_call(context->arena, &f, 2, args), context->err);
        (*out)->line = e->line;
        (*out)->column = e->column;
        return TRIB_OK;
    }
    return TRIB_OK;
}

static Status unwrap_in(RuleContext *context, Expr *e, Expr **out) {
    *out = e;
    if (!unwrappable(e->args[0])) return TRIB_OK;
    Expr **args;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    args[0] = e->args[0]->args[0];
    for (uint32_t i = 1; i < e->nargs; i++) {
        if (e->args[i]->kind != EXPR_CONSTANT || e->args[i]->as.value.is_null) return TRIB_OK;
        TRY(narrow(context, e->args[i], args[0]->type, &args[i]));
        if (!args[i]) return TRIB_OK;
        if (args[i]->type.id == TRIB_TYPE_VARCHAR)
            args[i]->type = args[i]->as.value.type = args[0]->type;
    }
    return rule_expr_over(context, e, args, out);
}

static Status unwrap(RuleContext *context, void *state, Expr *e, Expr **out) {
    if (e->nargs == 0) {
        *out = e;
        return TRIB_OK;
    }
    Expr **args;
    bool changed = false;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++) {
        TRY(unwrap(context, state, e->args[i], &args[i]));
        changed |= args[i] != e->args[i];
    }
    *out = e;
    if (changed) TRY(rule_expr_over(context, e, args, out));
    if (is_comparison(*out)) return unwrap_comparison(context, *out, out);
    if ((*out)->kind == EXPR_IN) return unwrap_in(context, *out, out);
    return TRIB_OK;
}

Status rule_unwrap_casts(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_unwrap_casts, &node));
    return rule_map_exprs(context, node, unwrap, NULL, out);
}
