/*
 * relation.c - what stands in FROM: tables, common table expressions, derived tables, joins.
 */
#include "engine/bind/scope.h"
#include "engine/catalog/views.h"

static void release_table(void *table) {
    table_release(table);
}

/* Qualifiers of a relation: its alias, or catalog, schema and table. */
static Status set_qualifiers(Binder *binder, Scope *scope, const AstName *alias, uint32_t nparts,
                             const Str *parts) {
    Str *qualifiers;
    uint32_t n = alias && alias->text.len ? 1 : nparts;
    TRY_ALLOC(qualifiers, ARENA_ARRAY(binder->arena, Str, n), binder->err);
    for (uint32_t i = 0; i < n; i++)
        qualifiers[i] = alias && alias->text.len ? alias->text : parts[i];
    for (uint32_t i = 0; i < scope->count; i++) {
        scope->columns[i].nqualifiers = n;
        scope->columns[i].qualifiers = qualifiers;
        scope->columns[i].qualified_only = false;
    }
    scope_renamed(binder, scope);
    return TRIB_OK;
}

Status bind_rename_columns(Binder *binder, Scope *scope, uint32_t count, const AstName *names,
                           AstPosition at) {
    if (count == 0) return TRIB_OK;
    uint32_t shown = 0;
    for (uint32_t i = 0; i < scope->count; i++) shown += !scope->columns[i].hidden;
    if (count != shown) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "%u column names are given for %u columns", count, shown);
    }
    for (uint32_t i = 0, next = 0; i < scope->count; i++) {
        if (!scope->columns[i].hidden) scope->columns[i].name = names[next++].text;
    }
    scope_renamed(binder, scope);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- tables */

Status bind_scan(Binder *binder, TableRef *table, const char *how, Bound *out) {
    const TribTable *t = &table->table;
    if (!arena_on_reset(binder->arena, release_table, table)) {
        table_release(table);
        return error_out_of_memory(binder->err);
    }
    TRY(bind_node(binder, LOGICAL_SCAN, t->ncolumns, NULL, &out->node));
    out->node->table = table;
    out->node->how = how;
    TRY_ALLOC(out->node->table_columns, ARENA_ARRAY(binder->arena, uint32_t, t->ncolumns),
              binder->err);
    Str *qualifiers;
    TRY_ALLOC(qualifiers, ARENA_ARRAY(binder->arena, Str, 3), binder->err);
    qualifiers[0] = str_from(catalog_name(table->catalog));
    qualifiers[1] = str_from(t->schema);
    qualifiers[2] = str_from(t->name);
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        const TribColumn *c = &t->columns[i];
        ColumnId id;
        TRY(bind_new_column(binder, str_from(c->name), c->type, c->nullable, &id));
        binder->plan->columns.columns[id].table = table;
        binder->plan->columns.columns[id].table_column = i;
        out->node->output[i] = id;
        out->node->table_columns[i] = i;
        ScopeColumn column = {.name = str_from(c->name),
                              .id = id,
                              .nqualifiers = 3,
                              .qualifiers = qualifiers,
                              .hidden = c->hidden};
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

Status bind_table(Binder *binder, const AstQualifiedName *name, AstPosition at,
                  const CteScope *ctes, const AstName *alias, Bound *out) {
    *out = (Bound){0};
    const CteScope *cte = bind_find_cte(ctes, name);
    if (cte) {
        TRY(bind_cte(binder, cte, at, out));
        TRY(set_qualifiers(binder, &out->scope, &cte->cte->name, 0, NULL));
    } else {
        Str parts[4];
        uint32_t n = name->count < 4 ? name->count : 4;
        for (uint32_t i = 0; i < n; i++) parts[i] = name->parts[i].text;
        TableRef *table;
        const char *how = NULL;
        if (name->count > 3) {
            return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                                "a table's name has at most three parts");
        }
        Status status = catalog_lookup_table(&binder->context->lookup, n, parts, binder->arena,
                                             &table, &how, binder->err);
        if (status != TRIB_OK) {
            binder->err->line = at.line;
            binder->err->column = at.column;
            return status;
        }
        if (catalog_holds_views(table->catalog)) {
            status = bind_view(binder, table, at, out);
            table_release(table);
            TRY(status);
        } else {
            TRY(bind_scan(binder, table, how, out));
        }
    }
    return alias && alias->text.len ? set_qualifiers(binder, &out->scope, alias, 0, NULL) : TRIB_OK;
}

static Status bind_named(Binder *binder, const AstRelation *r, const CteScope *ctes, Bound *out) {
    TRY(bind_table(binder, &r->name, r->at, ctes, &r->alias, out));
    return bind_rename_columns(binder, &out->scope, r->naliases, r->column_aliases, r->at);
}

static Status bind_function(Binder *binder, const AstRelation *r, Bound *out) {
    TRY(bind_table_function(binder, r, out));
    TRY(bind_rename_columns(binder, &out->scope, r->naliases, r->column_aliases, r->at));
    return set_qualifiers(binder, &out->scope, &r->alias, 0, NULL);
}

static Status bind_derived(Binder *binder, const AstRelation *r, const CteScope *ctes,
                           const Scope *outer, Bound *out) {
    TRY(bind_query(binder, r->query, ctes, outer, out));
    TRY(bind_rename_columns(binder, &out->scope, r->naliases, r->column_aliases, r->at));
    return set_qualifiers(binder, &out->scope, &r->alias, 0, NULL);
}

/* ---------------------------------------------------------------- joins */

static Status append_scope(Binder *binder, Scope *scope, const Scope *from) {
    for (uint32_t i = 0; i < from->count; i++) TRY(scope_add(binder, scope, &from->columns[i]));
    return TRIB_OK;
}

static void make_nullable(Binder *binder, const Scope *scope) {
    for (uint32_t i = 0; i < scope->count; i++)
        binder->plan->columns.columns[scope->columns[i].id].nullable = true;
}

/* A column both sides have, by name, for USING and NATURAL; exactly one on each side. */
static Status find_merged(Binder *binder, const Scope *side, const AstName *name,
                          const ScopeColumn **out) {
    AstName part = *name;
    AstQualifiedName qualified = {1, &part};
    return scope_find(binder, side, &qualified, out, NULL);
}

static Status natural_names(Binder *binder, const Scope *left, const Scope *right, AstPosition at,
                            uint32_t *count, AstName **names) {
    TRY_ALLOC(*names, ARENA_ARRAY(binder->arena, AstName, left->count), binder->err);
    *count = 0;
    for (uint32_t i = 0; i < left->count; i++) {
        for (uint32_t j = 0; j < right->count; j++) {
            if (left->columns[i].qualified_only || right->columns[j].qualified_only) continue;
            if (left->columns[i].hidden || right->columns[j].hidden) continue;
            if (!str_equal_fold(left->columns[i].name, right->columns[j].name)) continue;
            (*names)[(*count)++] = (AstName){left->columns[i].name, false, at};
            break;
        }
    }
    return TRIB_OK;
}

typedef struct Merge {
    Bound *left, *right;
    LogicalNode *join;
    JoinKind kind;
    uint32_t count;
    const AstName *names;
    const AstExpr *at;
    ColumnId *left_ids, *right_ids;
} Merge;

static Status merge_conditions(Binder *binder, Merge *m, AstPosition at) {
    AstExpr place = {.at = at};
    TRY_ALLOC(m->left_ids, ARENA_ARRAY(binder->arena, ColumnId, m->count), binder->err);
    TRY_ALLOC(m->right_ids, ARENA_ARRAY(binder->arena, ColumnId, m->count), binder->err);
    TRY_ALLOC(m->join->conjuncts, ARENA_ARRAY(binder->arena, Expr *, m->count), binder->err);
    m->join->nconjuncts = m->count;
    for (uint32_t i = 0; i < m->count; i++) {
        const ScopeColumn *l, *r;
        Expr *pair[2];
        TRY(find_merged(binder, &m->left->scope, &m->names[i], &l));
        TRY(find_merged(binder, &m->right->scope, &m->names[i], &r));
        m->left_ids[i] = l->id;
        m->right_ids[i] = r->id;
        TRY(bind_column(binder, l->id, &pair[0]));
        TRY(bind_column(binder, r->id, &pair[1]));
        TRY(bind_call_id(binder, &place, TRIB_FN_eq, 2, pair, &m->join->conjuncts[i]));
    }
    return TRIB_OK;
}

/* The merged columns come first, computed over the join: the left one, the right one, or COALESCE. */
static Status merge_columns(Binder *binder, Merge *m, AstPosition at, Bound *out) {
    AstExpr place = {.at = at};
    LogicalNode *project;
    TRY(bind_node(binder, LOGICAL_PROJECT, m->join->noutput + m->count, m->join, &project));
    TRY_ALLOC(project->exprs, ARENA_ARRAY(binder->arena, Expr *, project->noutput), binder->err);
    Scope scope = {0};
    for (uint32_t i = 0; i < m->count; i++) {
        Expr *pair[2], *merged;
        Type type;
        TRY(bind_column(binder, m->left_ids[i], &pair[0]));
        TRY(bind_column(binder, m->right_ids[i], &pair[1]));
        TRY(bind_unify(binder, &place, "USING", 2, pair, &type));
        merged = m->kind == JOIN_RIGHT ? pair[1] : pair[0];
        if (m->kind == JOIN_FULL) {
            TRY_ALLOC(merged, expr_new(binder->arena, EXPR_COALESCE, type, 2, pair), binder->err);
        }
        project->exprs[i] = merged;
        TRY(bind_new_column(binder, m->names[i].text, type, bind_nullable(binder, merged),
                            &project->output[i]));
        ScopeColumn column = {.name = m->names[i].text, .id = project->output[i]};
        TRY(scope_add(binder, &scope, &column));
    }
    for (uint32_t i = 0; i < m->join->noutput; i++) {
        project->output[m->count + i] = m->join->output[i];
        TRY(bind_column(binder, m->join->output[i], &project->exprs[m->count + i]));
    }
    uint32_t first = scope.count;
    TRY(append_scope(binder, &scope, &m->left->scope));
    TRY(append_scope(binder, &scope, &m->right->scope));
    for (uint32_t i = first; i < scope.count; i++) {
        for (uint32_t k = 0; k < m->count; k++) {
            if (scope.columns[i].id == m->left_ids[k] || scope.columns[i].id == m->right_ids[k]) {
                scope.columns[i].qualified_only = true;
            }
        }
    }
    *out = (Bound){project, scope};
    return TRIB_OK;
}

static Status join_condition(Binder *binder, const AstRelation *r, const CteScope *ctes,
                             Bound *out) {
    ExprScope scope = {.scope = &out->scope, .ctes = ctes, .clause = "ON"};
    Expr *condition;
    TRY(bind_condition(binder, &scope, r->on, &condition));
    return bind_conjuncts(binder, out->node, condition);
}

bool bind_is_on_true(const AstRelation *join) {
    return !join->on || (join->on->kind == AST_BOOLEAN && join->on->boolean);
}

const char *bind_lateral_refused(const AstRelation *join) {
    if (join->join == AST_JOIN_RIGHT)
        return "what is to the right of RIGHT JOIN sees no columns of the left";
    return join->join == AST_JOIN_FULL
               ? "what is to the right of FULL JOIN sees no columns of the left"
               : NULL;
}

/* A derived table that stands beside each row of the left side is there for no row if there is none: RIGHT
 * is INNER, FULL is LEFT, as in Trino. The condition of RIGHT says whether the left columns are shown. */
static Status bind_beside(Binder *binder, const AstRelation *r, Bound *left) {
    if (r->natural || r->nusing)
        return bind_unsupported(binder, r->at,
                                "NATURAL or USING in a RIGHT or FULL join with LATERAL");
    if (r->join == AST_JOIN_FULL && !bind_is_on_true(r))
        return bind_unsupported(binder, r->on->at,
                                "a FULL join with LATERAL on another condition than ON TRUE");
    left->scope.refused = bind_lateral_refused(r);
    return TRIB_OK;
}

/* The join's columns, and the condition as one more. */
static Status with_condition(Binder *binder, LogicalNode *join, Expr *condition,
                             LogicalNode **out) {
    uint32_t n = join->noutput;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, n + 1, join, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n + 1), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        node->output[i] = join->output[i];
        TRY(bind_column(binder, join->output[i], &node->exprs[i]));
    }
    node->exprs[n] = condition;
    *out = node;
    return bind_new_column(binder, STR("matches"), condition->type, true, &node->output[n]);
}

/* Column i of a projection: the column of below where `matches`, else NULL. */
static Status column_if(Binder *binder, LogicalNode *node, uint32_t i, ColumnId matches) {
    const PlanColumn c = *plan_column(&binder->plan->columns, node->children[0]->output[i]);
    Value null = {.type = c.type, .is_null = true};
    Expr *args[3];
    TRY(bind_column(binder, matches, &args[0]));
    TRY(bind_column(binder, node->children[0]->output[i], &args[1]));
    TRY_ALLOC(args[2], expr_constant(binder->arena, null), binder->err);
    TRY_ALLOC(node->exprs[i], expr_new(binder->arena, EXPR_CASE, c.type, 3, args), binder->err);
    return bind_new_column(binder, c.name, c.type, true, &node->output[i]);
}

/* Over the join of a RIGHT JOIN LATERAL: the first nleft columns are NULL where its condition does not hold. */
static Status show_matching(Binder *binder, const AstRelation *r, const CteScope *ctes,
                            uint32_t nleft, Bound *out) {
    ExprScope scope = {.scope = &out->scope, .ctes = ctes, .clause = "ON"};
    LogicalNode *node, *below;
    Expr *condition;
    TRY(bind_condition(binder, &scope, r->on, &condition));
    TRY(with_condition(binder, out->node, condition, &below));
    uint32_t n = below->noutput - 1;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, below, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        node->output[i] = below->output[i];
        if (i < nleft)
            TRY(column_if(binder, node, i, below->output[n]));
        else
            TRY(bind_column(binder, below->output[i], &node->exprs[i]));
    }
    for (uint32_t c = 0; c < out->scope.count; c++) {
        ScopeColumn *column = &out->scope.columns[c];
        for (uint32_t i = 0; i < nleft; i++) {
            if (column->id != below->output[i]) continue;
            column->id = node->output[i];
            break;
        }
    }
    out->node = node;
    return TRIB_OK;
}

static Status bind_join(Binder *binder, const AstRelation *r, const CteScope *ctes,
                        const Scope *outer, Bound *out) {
    static const JoinKind kinds[] = {[AST_JOIN_CROSS] = JOIN_CROSS,
                                     [AST_JOIN_INNER] = JOIN_INNER,
                                     [AST_JOIN_LEFT] = JOIN_LEFT,
                                     [AST_JOIN_RIGHT] = JOIN_RIGHT,
                                     [AST_JOIN_FULL] = JOIN_FULL};
    static const char where[] = "cannot stand on the side of an outer join that may be filled up";
    Bound left, right;
    RecursionBan before = binder->ban;
    bool full = r->join == AST_JOIN_FULL;
    if (full || r->join == AST_JOIN_RIGHT) bind_ban_recursion(binder, where);
    TRY(bind_relation(binder, r->left, ctes, outer, &left));
    binder->ban = before;
    if (r->right->kind == AST_REL_UNNEST)
        return bind_unnest_join(binder, r, ctes, outer, &left, out);
    if (full || r->join == AST_JOIN_LEFT) bind_ban_recursion(binder, where);
    bool lateral = r->right->kind == AST_REL_QUERY && r->right->lateral;
    bool beside = lateral && (full || r->join == AST_JOIN_RIGHT);
    if (beside) TRY(bind_beside(binder, r, &left));
    TRY(bind_relation(binder, r->right, ctes, lateral ? &left.scope : outer, &right));
    binder->ban = before;
    left.scope.refused = NULL;
    LogicalNode *join;
    uint32_t n = left.node->noutput;
    TRY_ALLOC(join, logical_new(binder->arena, LOGICAL_JOIN, n + right.node->noutput, 2),
              binder->err);
    join->children[0] = left.node;
    join->children[1] = right.node;
    join->join = kinds[r->join];
    if (beside) join->join = full ? JOIN_LEFT : JOIN_INNER;
    join->lateral = lateral && !beside;
    join->line = r->right->at.line;
    join->column = r->right->at.column;
    if (n) memcpy(join->output, left.node->output, n * sizeof *join->output);
    if (right.node->noutput)
        memcpy(join->output + n, right.node->output, right.node->noutput * sizeof *join->output);
    if (join->join == JOIN_LEFT || join->join == JOIN_FULL) make_nullable(binder, &right.scope);
    if (join->join == JOIN_RIGHT || join->join == JOIN_FULL) make_nullable(binder, &left.scope);

    Merge merge = {.left = &left,
                   .right = &right,
                   .join = join,
                   .kind = join->join,
                   .count = r->nusing,
                   .names = r->using_columns};
    if (r->natural) {
        AstName *names;
        TRY(natural_names(binder, &left.scope, &right.scope, r->at, &merge.count, &names));
        merge.names = names;
        if (merge.count == 0) join->join = join->join == JOIN_INNER ? JOIN_CROSS : join->join;
    }
    if (merge.count) {
        TRY(merge_conditions(binder, &merge, r->at));
        return merge_columns(binder, &merge, r->at, out);
    }
    /* The left side's own is not needed any more: long chains of joins copy nothing. */
    *out = (Bound){.node = join, .scope = left.scope};
    out->scope.outer = outer;
    TRY(append_scope(binder, &out->scope, &right.scope));
    if (!r->on || (beside && bind_is_on_true(r))) return TRIB_OK;
    return beside ? show_matching(binder, r, ctes, n, out) : join_condition(binder, r, ctes, out);
}

/* TABLESAMPLE over what has been bound. */
static Status bind_sample(Binder *binder, const AstRelation *r, Bound *out) {
    const AstExpr *ast = r->sample_percent;
    ExprScope scope = {.clause = "TABLESAMPLE"};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast, &e));
    if (e->kind != EXPR_PARAMETER && !type_is_numeric(e->type) && e->type.id != TRIB_TYPE_UNKNOWN) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "TABLESAMPLE needs a number as its percentage");
    }
    if (e->is_volatile) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the percentage of TABLESAMPLE must be constant");
    }
    TRY(bind_coerce(binder, e, TYPE(DOUBLE), &e));
    TRY(bind_node_same(binder, LOGICAL_SAMPLE, out->node, &out->node));
    out->node->limit = e;
    out->node->system = r->sample_system;
    e->line = ast->at.line;
    e->column = ast->at.column;
    return TRIB_OK;
}

Status bind_relation(Binder *binder, const AstRelation *r, const CteScope *ctes, const Scope *outer,
                     Bound *out) {
    TRY(bind_enter(binder, r->at));
    switch (r->kind) {
    case AST_REL_TABLE: TRY(bind_named(binder, r, ctes, out)); break;
    case AST_REL_QUERY: TRY(bind_derived(binder, r, ctes, outer, out)); break;
    case AST_REL_JOIN: TRY(bind_join(binder, r, ctes, outer, out)); break;
    case AST_REL_UNNEST: TRY(bind_unnest(binder, r, ctes, outer, out)); break;
    case AST_REL_FUNCTION: TRY(bind_function(binder, r, out)); break;
    default: return bind_unsupported(binder, r->at, "this in FROM");
    }
    if (r->sample_percent) TRY(bind_sample(binder, r, out));
    out->scope.outer = outer;
    bind_leave(binder);
    return TRIB_OK;
}
