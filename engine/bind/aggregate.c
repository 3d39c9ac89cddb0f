/*
 * aggregate.c - the clauses inside a call of an aggregate: ORDER BY, and ON OVERFLOW of listagg.
 *
 * Such a call gets a row of its own in place of the registry's (functions/aggregate_ordered.c); the sort keys
 * become further arguments. Where the order of the rows does not matter, ORDER BY is only checked.
 */
#include "engine/bind/scope.h"

static Status key_bind(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                       const AstOrderItem *item, uint32_t nargs, Expr *const *args, Expr **out) {
    TRY(bind_expr(binder, scope, item->expr, out));
    TRY(bind_settle(binder, *out, out));
    if (!type_orderable((*out)->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, item->at.line, item->at.column,
                            "values of type %s cannot be ordered",
                            type_id_name((TypeId)(*out)->type.id));
    }
    if (!ast->distinct) return TRIB_OK;
    for (uint32_t i = 0; i < nargs; i++) {
        if (expr_equal(args[i], *out)) return TRIB_OK;
    }
    return error_set_at(
        binder->err, ERR_SYNTAX, item->at.line, item->at.column,
        "with DISTINCT the rows of an aggregate can be ordered only by its arguments");
}

Status bind_aggregate_clauses(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                              const Aggregate **aggregate, uint32_t *nargs, Expr ***args) {
    uint32_t n = *nargs;
    if (ast->overflow_truncate) {
        Str filler = ast->text.data ? ast->text : STR("...");
        TRY(aggregate_listagg(binder->arena, *aggregate, filler, ast->overflow_count, aggregate,
                              binder->err));
    }
    if (ast->norder == 0) return TRIB_OK;
    Expr **all;
    AggregateOrder *keys;
    TRY_ALLOC(all, ARENA_ARRAY(binder->arena, Expr *, n + (size_t)ast->norder), binder->err);
    TRY_ALLOC(keys, ARENA_ARRAY(binder->arena, AggregateOrder, ast->norder), binder->err);
    if (n) memcpy(all, *args, n * sizeof *all);
    for (uint32_t i = 0; i < ast->norder; i++) {
        const AstOrderItem *item = &ast->order[i];
        TRY(key_bind(binder, scope, ast, item, n, all, &all[n + i]));
        keys[i] = (AggregateOrder){item->descending, item->nulls == AST_NULLS_FIRST};
    }
    if (!(*aggregate)->order_matters) return TRIB_OK;
    TRY(aggregate_ordered(binder->arena, *aggregate, n, ast->norder, keys, aggregate, binder->err));
    *nargs = n + ast->norder;
    *args = all;
    return TRIB_OK;
}
