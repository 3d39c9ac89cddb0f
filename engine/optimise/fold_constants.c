/*
 * fold_constants.c - parameters become constants, constants are computed, logic is simplified.
 *
 * A constant that raises is left as it stands: it may never be evaluated. Of AND and OR only operands
 * after the deciding one are dropped, and the ones before it only if they cannot raise.
 */
#include "engine/optimise/rule.h"

static Status fold(RuleContext *context, void *state, Expr *e, Expr **out);

static bool is_boolean(const Expr *e, bool value) {
    return e->kind == EXPR_CONSTANT && !e->as.value.is_null && e->type.id == TRIB_TYPE_BOOLEAN &&
           (e->as.value.as.integer != 0) == value;
}

static Status boolean_constant(RuleContext *context, bool value, Expr **out) {
    Value constant = {.type = TYPE(BOOLEAN)};
    constant.as.integer = value;
    TRY_ALLOC(*out, expr_constant(context->arena, constant), context->err);
    return TRIB_OK;
}

/* AND with deciding = false, OR with deciding = true. */
static Status fold_logic(RuleContext *context, Expr *e, bool deciding, Expr **out) {
    ExprList kept = {0};
    bool raises = false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        Expr *arg = e->args[i];
        if (is_boolean(arg, !deciding)) continue;
        if (is_boolean(arg, deciding)) {
            if (!raises) return boolean_constant(context, deciding, out);
            TRY(rule_list_add(context, &kept, arg));
            break;
        }
        raises |= arg->may_raise;
        TRY(rule_list_add(context, &kept, arg));
    }
    if (kept.count == 0) return boolean_constant(context, !deciding, out);
    if (kept.count == 1) {
        *out = kept.items[0];
        return TRIB_OK;
    }
    *out = e;
    if (kept.count == e->nargs) return TRIB_OK;
    TRY_ALLOC(*out, expr_boolean(context->arena, (ExprKind)e->kind, kept.count, kept.items),
              context->err);
    return TRIB_OK;
}

/* NOT (a < b) is a >= b, except for floating-point numbers (NaN). */
static TribFunctionId opposite(const Expr *call) {
    uint8_t type = call->args[0]->type.id;
    bool floating = type == TRIB_TYPE_REAL || type == TRIB_TYPE_DOUBLE;
    switch (call->as.function->id) {
    case TRIB_FN_eq: return TRIB_FN_ne;
    case TRIB_FN_ne: return TRIB_FN_eq;
    case TRIB_FN_lt: return floating ? (TribFunctionId)0 : TRIB_FN_ge;
    case TRIB_FN_le: return floating ? (TribFunctionId)0 : TRIB_FN_gt;
    case TRIB_FN_gt: return floating ? (TribFunctionId)0 : TRIB_FN_le;
    case TRIB_FN_ge: return floating ? (TribFunctionId)0 : TRIB_FN_lt;
    default: return (TribFunctionId)0;
    }
}

static Status fold_not(RuleContext *context, Expr *e, Expr **out) {
    Expr *arg = e->args[0];
    *out = e;
    if (arg->kind == EXPR_NOT) {
        *out = arg->args[0];
    } else if (arg->kind == EXPR_IS_NULL || arg->kind == EXPR_IN) {
        TRY(rule_expr_over(context, arg, arg->args, out));
        (*out)->negated = !arg->negated;
    } else if (arg->kind == EXPR_CALL && opposite(arg)) {
        Type types[2] = {arg->args[0]->type, arg->args[1]->type};
        ResolvedFunction f;
        TRY(function_resolve_id(context->arena, opposite(arg), 2, types, &f, context->err));
        TRY_ALLOC(*out, expr_call(context->arena, &f, 2, arg->args), context->err);
    }
    return TRIB_OK;
}

/* Drops WHEN FALSE and WHEN NULL; WHEN TRUE ends the list. */
static Status fold_case(RuleContext *context, Expr *e, Expr **out) {
    ExprList kept = {0};
    Expr *otherwise = e->args[e->nargs - 1];
    for (uint32_t i = 0; i + 1 < e->nargs; i += 2) {
        const Expr *when = e->args[i];
        if (when->kind == EXPR_CONSTANT && !is_boolean(when, true)) continue;
        if (is_boolean(when, true)) {
            otherwise = e->args[i + 1];
            break;
        }
        TRY(rule_list_add(context, &kept, e->args[i]));
        TRY(rule_list_add(context, &kept, e->args[i + 1]));
    }
    if (kept.count == 0) {
        *out = otherwise;
        return TRIB_OK;
    }
    TRY(rule_list_add(context, &kept, otherwise));
    *out = e;
    if (kept.count == e->nargs) return TRIB_OK;
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_CASE, e->type, kept.count, kept.items),
              context->err);
    return TRIB_OK;
}

static Status fold_coalesce(RuleContext *context, Expr *e, Expr **out) {
    ExprList kept = {0};
    for (uint32_t i = 0; i < e->nargs; i++) {
        Expr *arg = e->args[i];
        if (arg->kind == EXPR_CONSTANT && arg->as.value.is_null && kept.count + (e->nargs - i) > 1)
            continue;
        TRY(rule_list_add(context, &kept, arg));
        if (arg->kind == EXPR_CONSTANT && !arg->as.value.is_null) break;
    }
    *out = kept.items[0];
    if (kept.count == 1) return TRIB_OK;
    *out = e;
    if (kept.count == e->nargs) return TRIB_OK;
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_COALESCE, e->type, kept.count, kept.items),
              context->err);
    return TRIB_OK;
}

static Status simplify(RuleContext *context, Expr *e, Expr **out) {
    switch ((ExprKind)e->kind) {
    case EXPR_AND: return fold_logic(context, e, false, out);
    case EXPR_OR: return fold_logic(context, e, true, out);
    case EXPR_NOT: return fold_not(context, e, out);
    case EXPR_CASE: return fold_case(context, e, out);
    case EXPR_COALESCE: return fold_coalesce(context, e, out);
    default: *out = e; return TRIB_OK;
    }
}

static bool foldable(const Expr *e) {
    if (e->is_volatile || e->nargs == 0) return e->kind == EXPR_CALL && !e->is_volatile;
    if (e->kind == EXPR_AGGREGATE || e->kind == EXPR_WINDOW || e->kind == EXPR_SUBQUERY ||
        e->kind == EXPR_LAMBDA)
        return false;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (e->args[i]->kind != EXPR_CONSTANT) return false;
    }
    return true;
}

static Status fold_subquery(RuleContext *context, Expr *e, Expr **out) {
    LogicalNode *plan;
    TRY(rule_fold_constants(context, e->as.plan, &plan));
    *out = e;
    if (plan == e->as.plan) return TRIB_OK;
    TRY(rule_expr_over(context, e, e->args, out));
    (*out)->as.plan = plan;
    return TRIB_OK;
}

static Status fold_args(RuleContext *context, Expr *e, Expr **out) {
    Expr **args;
    bool changed = false;
    *out = e;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++) {
        TRY(fold(context, NULL, e->args[i], &args[i]));
        changed |= args[i] != e->args[i];
    }
    if (changed) TRY(rule_expr_over(context, e, args, out));
    if (e->kind == EXPR_AGGREGATE && e->as.agg.filter) {
        Expr *filter;
        TRY(fold(context, NULL, e->as.agg.filter, &filter));
        if (filter != e->as.agg.filter) {
            if (*out == e) TRY(rule_expr_over(context, e, args, out));
            (*out)->as.agg.filter = filter;
        }
    }
    return TRIB_OK;
}

static Status fold(RuleContext *context, void *state, Expr *e, Expr **out) {
    if (e->kind == EXPR_PARAMETER) {
        if (e->as.slot >= context->options->nparams) {
            return error_set(context->err, ERR_PARAM_COUNT, "parameter %u has no value",
                             e->as.slot + 1);
        }
        TRY_ALLOC(*out, expr_constant(context->arena, context->options->params[e->as.slot]),
                  context->err);
        (*out)->line = e->line;
        (*out)->column = e->column;
        return TRIB_OK;
    }
    TRY(fold_args(context, e, out));
    if ((*out)->kind == EXPR_SUBQUERY) TRY(fold_subquery(context, *out, out));
    TRY(simplify(context, *out, out));
    if (!foldable(*out)) return TRIB_OK;
    Expr *before = *out;
    TRY(expr_fold(context->arena, context->options->session, before, out, context->err));
    if (*out != before) {
        (*out)->line = e->line;
        (*out)->column = e->column;
    }
    return TRIB_OK;
}

/* Conjuncts that are TRUE go; a filter without any is its input. */
static Status drop_true(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    ExprList kept = {0};
    *out = node;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        if (!is_boolean(node->conjuncts[i], true))
            TRY(rule_list_add(context, &kept, node->conjuncts[i]));
    }
    if (kept.count == node->nconjuncts) return TRIB_OK;
    if (node->kind == LOGICAL_FILTER && kept.count == 0) {
        *out = node->children[0];
        return TRIB_OK;
    }
    TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
    (*out)->nconjuncts = kept.count;
    (*out)->conjuncts = kept.items;
    return TRIB_OK;
}

Status rule_fold_constants(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_fold_constants, &node));
    TRY(rule_map_exprs(context, node, fold, NULL, &node));
    return drop_true(context, node, out);
}
