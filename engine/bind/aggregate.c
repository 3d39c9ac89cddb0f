/*
 * aggregate.c - the clauses inside a call of an aggregate: ORDER BY, and ON OVERFLOW of listagg; reduce_agg.
 *
 * Such a call gets a row of its own in place of the registry's (functions/aggregate_ordered.c); the sort keys
 * become further arguments. Where the order of the rows does not matter, ORDER BY is only checked.
 * reduce_agg(x, s, f, g) is reduce() over the array of the values that are not NULL; g, which joins two partial
 * results, is only checked.
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

/* ---------------------------------------------------------------- reduce_agg */

static Status ast_new(Binder *binder, const AstExpr *like, AstExprKind kind, uint32_t nargs,
                      AstExpr **out) {
    TRY_ALLOC(*out, ARENA_NEW(binder->arena, AstExpr), binder->err);
    (*out)->kind = (uint8_t)kind;
    (*out)->at = like->at;
    (*out)->nargs = nargs;
    TRY_ALLOC((*out)->args, ARENA_ARRAY(binder->arena, AstExpr *, nargs), binder->err);
    return TRIB_OK;
}

static Status ast_call(Binder *binder, const AstExpr *like, Str name, uint32_t nargs,
                       AstExpr **out) {
    TRY(ast_new(binder, like, AST_CALL, nargs, out));
    TRY_ALLOC((*out)->name.parts, ARENA_NEW(binder->arena, AstName), binder->err);
    (*out)->name.parts[0] = (AstName){.text = name, .at = like->at};
    (*out)->name.count = 1;
    return TRIB_OK;
}

/* reduce(list, start, step, result -> result) */
static Status ast_reduce(Binder *binder, const AstExpr *like, AstExpr *list, AstExpr *start,
                         AstExpr *step, AstExpr **out) {
    AstExpr *same, *result;
    TRY(ast_new(binder, like, AST_NAME, 0, &result));
    TRY_ALLOC(result->name.parts, ARENA_NEW(binder->arena, AstName), binder->err);
    result->name.parts[0] = (AstName){.text = STR("result"), .at = like->at};
    result->name.count = 1;
    TRY(ast_new(binder, like, AST_LAMBDA, 1, &same));
    same->nlambda = 1;
    same->lambda_names = result->name.parts;
    same->args[0] = result;
    TRY(ast_call(binder, like, STR("reduce"), 4, out));
    (*out)->args[0] = list;
    (*out)->args[1] = start;
    (*out)->args[2] = step;
    (*out)->args[3] = same;
    return TRIB_OK;
}

/* array_agg of the values that are not NULL, with the call's DISTINCT, ORDER BY and FILTER. */
static Status ast_values(Binder *binder, const AstExpr *ast, AstExpr **out) {
    AstExpr *valid, *both;
    TRY(ast_new(binder, ast, AST_IS_NULL, 1, &valid));
    valid->args[0] = ast->args[0];
    valid->negated = true;
    if (ast->filter) {
        TRY(ast_new(binder, ast, AST_AND, 2, &both));
        both->args[0] = ast->filter;
        both->args[1] = valid;
        valid = both;
    }
    TRY(ast_call(binder, ast, STR("array_agg"), 1, out));
    (*out)->args[0] = ast->args[0];
    (*out)->filter = valid;
    (*out)->distinct = ast->distinct;
    (*out)->norder = ast->norder;
    (*out)->order = ast->order;
    return TRIB_OK;
}

bool is_reduce_agg(Str name) {
    return str_equal_fold(name, STR("reduce_agg"));
}

Status bind_reduce_agg(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out) {
    AstExpr *list, *call;
    Expr *checked;
    if (ast->nargs != 4 || ast->args[2]->kind != AST_LAMBDA || ast->args[3]->kind != AST_LAMBDA) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "reduce_agg takes a value, a first state and two lambdas");
    }
    TRY(ast_new(binder, ast, AST_ARRAY, 1, &list));
    list->args[0] = ast->args[1];
    TRY(ast_reduce(binder, ast, list, ast->args[1], ast->args[3], &call));
    TRY(bind_expr(binder, scope, call, &checked));
    TRY(ast_values(binder, ast, &list));
    TRY(ast_reduce(binder, ast, list, ast->args[1], ast->args[2], &call));
    return bind_expr(binder, scope, call, out);
}
