/*
 * query.c - whole queries: WITH, set operations, VALUES, TABLE, ORDER BY and LIMIT above them.
 */
#include "engine/bind/scope.h"

/* ---------------------------------------------------------------- VALUES */

/* Where the first value stands whose type does not go with those above it. */
static AstPosition mixed_place(Binder *binder, const AstBody *body, uint32_t column,
                               Expr *const *values) {
    Type type = TYPE(UNKNOWN), common;
    for (uint32_t r = 0; r < body->nrows; r++) {
        if (!type_common(binder->arena, type, values[r]->type, &common))
            return body->rows[r].items[column]->at;
        type = common;
    }
    return body->at;
}

static Status bind_values(Binder *binder, const AstBody *body, const CteScope *ctes,
                          const Scope *outer, Bound *out) {
    uint32_t n = body->nrows ? body->rows[0].count : 0;
    const Scope none = {.outer = outer};
    ExprScope scope = {.scope = outer ? &none : NULL, .ctes = ctes, .clause = "VALUES"};
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_VALUES, n, NULL, &node));
    node->nrows = body->nrows;
    TRY_ALLOC(node->value_rows, ARENA_ARRAY(binder->arena, Expr **, body->nrows), binder->err);
    for (uint32_t r = 0; r < body->nrows; r++) {
        if (body->rows[r].count != n) {
            return error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                                "row %u of VALUES has %u columns, the first one has %u", r + 1,
                                body->rows[r].count, n);
        }
        TRY_ALLOC(node->value_rows[r], ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
        for (uint32_t i = 0; i < n; i++)
            TRY(bind_expr(binder, &scope, body->rows[r].items[i], &node->value_rows[r][i]));
    }
    *out = (Bound){.node = node};
    AstExpr at = {.at = body->at};
    Expr **column;
    TRY_ALLOC(column, ARENA_ARRAY(binder->arena, Expr *, body->nrows), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        bool nullable = false;
        Type type;
        for (uint32_t r = 0; r < body->nrows; r++) column[r] = node->value_rows[r][i];
        at.at = mixed_place(binder, body, i, column);
        TRY(bind_unify(binder, &at, "a column of VALUES", body->nrows, column, &type));
        for (uint32_t r = 0; r < body->nrows; r++) {
            node->value_rows[r][i] = column[r];
            nullable |= bind_nullable(binder, column[r]);
        }
        char *name;
        TRY_ALLOC(name, arena_printf(binder->arena, "_col%u", i), binder->err);
        TRY(bind_new_column(binder, str_from(name), type, nullable, &node->output[i]));
        ScopeColumn entry = {.name = str_from(name), .id = node->output[i]};
        TRY(scope_add(binder, &out->scope, &entry));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- set operations */

Status bind_coerced(Binder *binder, const Bound *side, const Type *types, LogicalNode **out) {
    uint32_t n = side->scope.count;
    bool same = true;
    for (uint32_t i = 0; i < n; i++) {
        same &= type_equal(plan_column(&binder->plan->columns, side->scope.columns[i].id)->type,
                           types[i]);
        same &= i < side->node->noutput && side->node->output[i] == side->scope.columns[i].id;
    }
    *out = side->node;
    if (same && side->node->noutput == n) return TRIB_OK;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, side->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        Expr *column;
        TRY(bind_column(binder, side->scope.columns[i].id, &column));
        TRY(bind_coerce(binder, column, types[i], &node->exprs[i]));
        TRY(bind_new_column(binder, side->scope.columns[i].name, types[i],
                            bind_nullable(binder, column), &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

static const char *set_name(const AstBody *body) {
    static const char *const names[] = {
        [AST_UNION] = "UNION", [AST_INTERSECT] = "INTERSECT", [AST_EXCEPT] = "EXCEPT"};
    return names[body->set];
}

static Status common_types(Binder *binder, const AstBody *body, const Bound *left,
                           const Bound *right, Type **out) {
    uint32_t n = left->scope.count;
    if (n != right->scope.count) {
        return error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                            "%s needs the same number of columns on both sides: %u and %u",
                            set_name(body), n, right->scope.count);
    }
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, Type, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = left->scope.columns[i].id, other = right->scope.columns[i].id;
        bind_adopt(binder, right->node, other, plan_column(&binder->plan->columns, id)->type);
        bind_adopt(binder, left->node, id, plan_column(&binder->plan->columns, other)->type);
        Type a = plan_column(&binder->plan->columns, id)->type;
        Type b = plan_column(&binder->plan->columns, other)->type;
        if (type_common(binder->arena, a, b, &(*out)[i])) continue;
        return error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                            "%s: column %u is of type %s on the left and %s on the right",
                            set_name(body), i + 1, type_id_name((TypeId)a.id),
                            type_id_name((TypeId)b.id));
    }
    return TRIB_OK;
}

/* UNION ALL, or a SETOP, of two sides that have the same types. */
static Status combine_sides(Binder *binder, LogicalKind kind, LogicalNode *const *sides,
                            const Type *types, const Bound *names, LogicalNode **out) {
    uint32_t n = names->scope.count;
    LogicalNode *node;
    TRY_ALLOC(node, logical_new(binder->arena, kind, n, 2), binder->err);
    TRY_ALLOC(node->inputs, ARENA_ARRAY(binder->arena, ColumnId *, 2), binder->err);
    for (uint32_t s = 0; s < 2; s++) {
        node->children[s] = sides[s];
        node->inputs[s] = sides[s]->output;
    }
    for (uint32_t i = 0; i < n; i++) {
        bool nullable = plan_column(&binder->plan->columns, sides[0]->output[i])->nullable;
        if (kind == LOGICAL_UNION)
            nullable |= plan_column(&binder->plan->columns, sides[1]->output[i])->nullable;
        TRY(bind_new_column(binder, names->scope.columns[i].name, types[i], nullable,
                            &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

/* INTERSECT and EXCEPT compare all columns. */
static Status check_comparable(Binder *binder, const AstBody *body, uint32_t count,
                               const Type *types) {
    for (uint32_t i = 0; i < count; i++) {
        if (type_comparable(types[i])) continue;
        return error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                            "%s needs columns that can be compared; column %u is of type %s",
                            set_name(body), i + 1, type_id_name((TypeId)types[i].id));
    }
    return TRIB_OK;
}

static Status bind_set(Binder *binder, const AstBody *body, const CteScope *ctes,
                       const Scope *outer, Bound *out) {
    Bound left, right;
    bool ordered;
    TRY(bind_enter(binder, body->at));
    const char *where =
        body->set == AST_EXCEPT ? "cannot stand in EXCEPT" : "cannot stand in INTERSECT ALL";
    RecursionBan before = binder->ban;
    bool banned = body->set != AST_UNION && body->all;
    if (banned) bind_ban_recursion(binder, where);
    TRY(bind_query_body(binder, body->left, NULL, ctes, outer, &left, &ordered));
    if (body->set == AST_EXCEPT) bind_ban_recursion(binder, where);
    TRY(bind_query_body(binder, body->right, NULL, ctes, outer, &right, &ordered));
    binder->ban = before;
    bind_leave(binder);
    Type *types;
    TRY(common_types(binder, body, &left, &right, &types));
    LogicalNode *sides[2], *node;
    TRY(bind_coerced(binder, &left, types, &sides[0]));
    TRY(bind_coerced(binder, &right, types, &sides[1]));
    bool set_union = body->set == AST_UNION;
    if (!set_union || !body->all) TRY(check_comparable(binder, body, left.scope.count, types));
    TRY(combine_sides(binder, set_union ? LOGICAL_UNION : LOGICAL_SETOP, sides, types, &left,
                      &node));
    if (set_union) {
        if (!body->all) TRY(bind_distinct(binder, body->at, node, &node));
    } else {
        node->set = body->set == AST_INTERSECT ? SET_INTERSECT : SET_EXCEPT;
        node->all = body->all;
    }
    *out = (Bound){.node = node};
    for (uint32_t i = 0; i < left.scope.count; i++) {
        ScopeColumn column = {.name = left.scope.columns[i].name, .id = node->output[i]};
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- bodies */

/* Gives a table's or query's columns as a body gives them: without qualifiers. */
static Status unqualified(Binder *binder, const Bound *from, Bound *out) {
    *out = (Bound){.node = from->node};
    for (uint32_t i = 0; i < from->scope.count; i++) {
        const ScopeColumn *c = &from->scope.columns[i];
        if (c->hidden) continue;
        ScopeColumn column = {.name = c->name, .id = c->id};
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

Status bind_query_body(Binder *binder, const AstBody *body, const AstQuery *query,
                       const CteScope *ctes, const Scope *outer, Bound *out, bool *ordered) {
    Bound inner;
    *ordered = false;
    switch (body->kind) {
    case AST_BODY_SELECT:
        return bind_select(binder, body->select, query, ctes, outer, out, ordered);
    case AST_BODY_VALUES: return bind_values(binder, body, ctes, outer, out);
    case AST_BODY_SET: return bind_set(binder, body, ctes, outer, out);
    case AST_BODY_QUERY: return bind_query(binder, body->query, ctes, outer, out);
    case AST_BODY_TABLE:
        TRY(bind_table(binder, &body->table, body->at, ctes, NULL, &inner));
        return unqualified(binder, &inner, out);
    }
    return bind_unsupported(binder, body->at, "this query");
}

/* ORDER BY above VALUES and set operations: by ordinals and output columns. */
static Status sort_body(Binder *binder, const AstQuery *query, const CteScope *ctes,
                        const Scope *outer, Bound *bound) {
    if (query->norder == 0) return TRIB_OK;
    bound->scope.outer = outer;
    uint32_t n = bound->node->noutput, extra = 0;
    LogicalNode *project, *sort;
    TRY(bind_node(binder, LOGICAL_PROJECT, n + query->norder, bound->node, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, n + query->norder), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = bound->node->output[i];
        TRY(bind_column(binder, project->output[i], &project->exprs[i]));
    }
    SortKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(binder->arena, SortKey, query->norder), binder->err);
    ExprScope scope = {.scope = &bound->scope, .ctes = ctes, .clause = "ORDER BY"};
    for (uint32_t k = 0; k < query->norder; k++) {
        const AstOrderItem *item = &query->order[k];
        Expr *e;
        if (item->expr->kind == AST_INTEGER) {
            uint64_t ordinal = 0;
            for (size_t i = 0; i < item->expr->text.len && ordinal <= n; i++) {
                ordinal = ordinal * 10 + (uint64_t)(item->expr->text.data[i] - '0');
            }
            if (ordinal < 1 || ordinal > bound->scope.count) {
                return error_set_at(binder->err, ERR_SYNTAX, item->at.line, item->at.column,
                                    "ORDER BY position " STR_FORMAT " is not among the %u columns",
                                    STR_ARGS(item->expr->text), bound->scope.count);
            }
            TRY(bind_column(binder, bound->scope.columns[ordinal - 1].id, &e));
        } else {
            TRY(bind_expr(binder, &scope, item->expr, &e));
            TRY(bind_settle(binder, e, &e));
        }
        if (!type_orderable(e->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, item->at.line, item->at.column,
                                "values of type %s cannot be ordered",
                                type_id_name((TypeId)e->type.id));
        }
        keys[k] = (SortKey){e, item->descending, item->nulls == AST_NULLS_FIRST};
        if (e->kind == EXPR_COLUMN) continue;
        project->exprs[n + extra] = e;
        TRY(bind_new_column(binder, STR("sort"), e->type, true, &project->output[n + extra]));
        TRY(bind_column(binder, project->output[n + extra], &keys[k].expr));
        extra++;
    }
    project->noutput = n + extra;
    TRY(bind_node_same(binder, LOGICAL_SORT, extra ? project : bound->node, &sort));
    sort->nkeys = query->norder;
    sort->keys = keys;
    bound->node = sort;
    return TRIB_OK;
}

/* The query's node must put out exactly the columns of its scope, in order. */
static Status trim_output(Binder *binder, Bound *bound) {
    uint32_t n = bound->scope.count;
    bool same = bound->node->noutput == n;
    for (uint32_t i = 0; i < n && same; i++)
        same = bound->node->output[i] == bound->scope.columns[i].id;
    if (same) return TRIB_OK;
    LogicalNode *project;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, bound->node, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = bound->scope.columns[i].id;
        TRY(bind_column(binder, project->output[i], &project->exprs[i]));
    }
    bound->node = project;
    return TRIB_OK;
}

/* The same column twice in a select list (SELECT a, a) keeps one id per position only after a projection
 * of its own, which bind_select always makes; ids are therefore distinct here. */
Status bind_query(Binder *binder, const AstQuery *query, const CteScope *ctes, const Scope *outer,
                  Bound *out) {
    TRY(bind_enter(binder, query->at));
    TRY(bind_with(binder, query, outer, &ctes));
    bool ordered;
    TRY(bind_query_body(binder, query->body, query, ctes, outer, out, &ordered));
    if (!ordered) {
        TRY(sort_body(binder, query, ctes, outer, out));
        TRY(bind_limit(binder, query, out->node, &out->node));
    }
    TRY(trim_output(binder, out));
    TRY(bind_unused_ctes(binder, query, ctes));
    bind_leave(binder);
    return TRIB_OK;
}
