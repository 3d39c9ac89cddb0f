/*
 * node.c - building logical nodes for the binder.
 */
#include "engine/bind/scope.h"

Status bind_node(Binder *binder, LogicalKind kind, uint32_t noutput, LogicalNode *child,
                 LogicalNode **out) {
    TRY_ALLOC(*out, logical_new(binder->arena, kind, noutput, child ? 1 : 0), binder->err);
    if (child) (*out)->children[0] = child;
    return TRIB_OK;
}

Status bind_node_same(Binder *binder, LogicalKind kind, LogicalNode *child, LogicalNode **out) {
    TRY(bind_node(binder, kind, child->noutput, child, out));
    if (child->noutput)
        memcpy((*out)->output, child->output, child->noutput * sizeof *child->output);
    return TRIB_OK;
}

Status bind_filter(Binder *binder, LogicalNode *child, Expr *condition, LogicalNode **out) {
    TRY(bind_node_same(binder, LOGICAL_FILTER, child, out));
    return bind_conjuncts(binder, *out, condition);
}

Status bind_conjuncts(Binder *binder, LogicalNode *node, Expr *condition) {
    uint32_t n = condition->kind == EXPR_AND ? condition->nargs : 1;
    TRY_ALLOC(node->conjuncts, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++)
        node->conjuncts[i] = condition->kind == EXPR_AND ? condition->args[i] : condition;
    node->nconjuncts = n;
    return TRIB_OK;
}

Status bind_new_column(Binder *binder, Str name, Type type, bool nullable, ColumnId *out) {
    *out = plan_column_new(&binder->plan->columns, name, type, nullable);
    return *out ? TRIB_OK : error_out_of_memory(binder->err);
}

Status bind_column(Binder *binder, ColumnId id, Expr **out) {
    TRY_ALLOC(*out, expr_column(binder->arena, id, plan_column(&binder->plan->columns, id)->type),
              binder->err);
    return TRIB_OK;
}

Status bind_outer_column(Binder *binder, ColumnId id, Expr **out) {
    if (id < binder->lowest_outer) binder->lowest_outer = id;
    TRY_ALLOC(*out, expr_outer(binder->arena, id, plan_column(&binder->plan->columns, id)->type),
              binder->err);
    return TRIB_OK;
}

/* Conservative: false only where the expression cannot be NULL. */
bool bind_nullable(const Binder *binder, const Expr *e) {
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN: return plan_column(&binder->plan->columns, e->as.column_id)->nullable;
    case EXPR_CONSTANT: return e->as.value.is_null;
    case EXPR_IS_NULL: return false;
    case EXPR_COALESCE:
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (!bind_nullable(binder, e->args[i])) return false;
        }
        return true;
    case EXPR_CALL:
        if (e->as.function->id == TRIB_FN_is_distinct_from) return false;
        if (e->as.function->nulls != NULLS_PROPAGATE) return true;
        break;
    case EXPR_CAST:
        if (e->try_cast) return true;
        break;
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT: break;
    case EXPR_AGGREGATE: return !e->as.agg.aggregate->zero_of_none;
    case EXPR_WINDOW:
        if (e->as.window->aggregate) return !e->as.window->aggregate->zero_of_none;
        return e->as.window->function->treats_nulls || e->as.window->function->id == TRIB_FN_ntile;
    default: return true;
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (bind_nullable(binder, e->args[i])) return true;
    }
    return false;
}

/* Grouping by everything. */
Status bind_distinct(Binder *binder, AstPosition at, LogicalNode *child, LogicalNode **out) {
    for (uint32_t i = 0; i < child->noutput; i++) {
        const PlanColumn *c = plan_column(&binder->plan->columns, child->output[i]);
        if (!type_comparable(c->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                                "DISTINCT needs columns that can be compared; '" STR_FORMAT
                                "' is of type %s",
                                STR_ARGS(c->name), type_id_name((TypeId)c->type.id));
        }
    }
    TRY(bind_node(binder, LOGICAL_AGGREGATE, child->noutput, child, out));
    LogicalNode *node = *out;
    node->ngroups = child->noutput;
    TRY_ALLOC(node->groups, ARENA_ARRAY(binder->arena, Expr *, child->noutput), binder->err);
    for (uint32_t i = 0; i < child->noutput; i++) {
        const PlanColumn c = *plan_column(&binder->plan->columns, child->output[i]);
        TRY(bind_column(binder, child->output[i], &node->groups[i]));
        TRY(bind_new_column(binder, c.name, c.type, c.nullable, &node->output[i]));
        binder->plan->columns.columns[node->output[i]].table = c.table;
        binder->plan->columns.columns[node->output[i]].table_column = c.table_column;
    }
    return TRIB_OK;
}

static Status bind_count(Binder *binder, const AstExpr *ast, const char *clause, Expr **out) {
    ExprScope scope = {.clause = clause};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast, &e));
    if (e->kind != EXPR_PARAMETER && !type_is_integer(e->type)) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%s needs a whole number", clause);
    }
    TRY(bind_coerce(binder, e, TYPE(BIGINT), out));
    (*out)->line = ast->at.line;
    (*out)->column = ast->at.column;
    return TRIB_OK;
}

Status bind_limit(Binder *binder, const AstQuery *query, LogicalNode *child, LogicalNode **out) {
    *out = child;
    if (!query->limit && !query->offset) return TRIB_OK;
    bool ties = query->with_ties;
    if (ties && (query->norder == 0 || child->kind != LOGICAL_SORT)) {
        return error_set_at(binder->err, ERR_SYNTAX, query->limit->at.line, query->limit->at.column,
                            "FETCH FIRST ... WITH TIES needs ORDER BY");
    }
    TRY(bind_node_same(binder, ties ? LOGICAL_TIES : LOGICAL_LIMIT, child, out));
    if (ties) {
        (*out)->nkeys = child->nkeys;
        (*out)->keys = child->keys;
    }
    if (query->limit) TRY(bind_count(binder, query->limit, "LIMIT", &(*out)->limit));
    if (query->offset) TRY(bind_count(binder, query->offset, "OFFSET", &(*out)->offset));
    return TRIB_OK;
}
