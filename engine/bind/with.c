/*
 * with.c - WITH: common table expressions, and recursive ones.
 *
 * A query is bound at its first use and becomes an entry of the plan's `ctes`; each use is a leaf with columns
 * of its own (the first one has the query's). Chains in which each query uses the one before it twice stay as
 * short as they are written. A query that uses columns of an enclosing query, or the rows of a recursive step
 * around it, belongs to its place: it is bound anew at each use, without a leaf.
 *
 * WITH RECURSIVE name(columns) AS (first UNION [ALL] step) becomes a RECURSIVE node whose step reads the
 * rows of the step before through a WORKING leaf. Types are those of the first part (varchar without its
 * bound); the step's must be coercible to them. As in Trino the step may name the query once, in FROM,
 * where all its rows count: not on the side of an outer join that may be filled up, not to the right of
 * EXCEPT, not in a sub-query of an expression. Without ALL the step leaves out rows that there are already:
 * distinct, then an anti join with all rows so far. A query that does not name itself is an ordinary one.
 */
#include "engine/bind/scope.h"

struct Recursion {
    uint32_t id;
    uint32_t depth; /* recursive queries around it, and itself */
    uint32_t references;
    const char *refused; /* why the query cannot be named here; NULL = it can */
    uint32_t ncolumns;
    Type *types;
    uint32_t untyped; /* position + 1 of a column of bare NULLs */
};

RecursionBan bind_ban_recursion(Binder *binder, const char *where) {
    RecursionBan before = binder->ban;
    binder->ban = (RecursionBan){where, binder->recursion_depth};
    return before;
}

/* ---------------------------------------------------------------- the recursive reference */

static Status check_reference(Binder *binder, const CteScope *cte, AstPosition at) {
    Recursion *r = cte->recursion;
    const char *why = r->refused;
    if (!why && binder->ban.where && r->depth <= binder->ban.depth) why = binder->ban.where;
    if (!why && r->references++ > 0) why = "stands twice in the step";
    if (why) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "the recursive reference to '" STR_FORMAT "' %s",
                            STR_ARGS(cte->cte->name.text), why);
    }
    if (cte->cte->ncolumns == 0) {
        error_set_at(binder->err, ERR_SYNTAX, cte->cte->name.at.line, cte->cte->name.at.column,
                     "the recursive query '" STR_FORMAT "' needs a list of its columns",
                     STR_ARGS(cte->cte->name.text));
        return error_hint(binder->err, "Write WITH RECURSIVE " STR_FORMAT "(a, b, ...) AS ....",
                          STR_ARGS(cte->cte->name.text));
    }
    if (r->depth < binder->lowest_step) binder->lowest_step = r->depth;
    if (!r->untyped) return TRIB_OK;
    error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                 "column %u of the recursive query '" STR_FORMAT "' has no type", r->untyped,
                 STR_ARGS(cte->cte->name.text));
    return error_hint(binder->err, "Write CAST(NULL AS ...) in its first part.");
}

/* A leaf with all columns of the query: the rows of the last step, or all so far. */
static Status working_node(Binder *binder, const Recursion *r, bool all, LogicalNode **out) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_WORKING, r->ncolumns, NULL, &node));
    node->recursion = r->id;
    node->distinct = all;
    TRY_ALLOC(node->table_columns, ARENA_ARRAY(binder->arena, uint32_t, r->ncolumns), binder->err);
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        char *name;
        TRY_ALLOC(name, arena_printf(binder->arena, "_col%u", i), binder->err);
        node->table_columns[i] = i;
        TRY(bind_new_column(binder, str_from(name), r->types[i], true, &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

static Status bind_reference(Binder *binder, const CteScope *cte, AstPosition at, Bound *out) {
    TRY(check_reference(binder, cte, at));
    *out = (Bound){0};
    TRY(working_node(binder, cte->recursion, false, &out->node));
    for (uint32_t i = 0; i < out->node->noutput; i++) {
        PlanColumn *column = &binder->plan->columns.columns[out->node->output[i]];
        if (i < cte->cte->ncolumns) column->name = cte->cte->columns[i].text;
        ScopeColumn entry = {.name = column->name, .id = out->node->output[i]};
        TRY(scope_add(binder, &out->scope, &entry));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- recursive queries */

static Status first_types(Binder *binder, const Bound *first, Recursion *r) {
    r->ncolumns = first->scope.count;
    TRY_ALLOC(r->types, ARENA_ARRAY(binder->arena, Type, r->ncolumns), binder->err);
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        r->types[i] = plan_column(&binder->plan->columns, first->scope.columns[i].id)->type;
        if (r->types[i].id == TRIB_TYPE_VARCHAR) r->types[i] = type_varchar(0);
        if (r->types[i].id == TRIB_TYPE_UNKNOWN && !r->untyped) r->untyped = i + 1;
    }
    return TRIB_OK;
}

static Status check_step(Binder *binder, const AstBody *body, const Bound *step,
                         const Recursion *r) {
    if (step->scope.count != r->ncolumns) {
        return error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                            "UNION needs the same number of columns on both sides: %u and %u",
                            r->ncolumns, step->scope.count);
    }
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        Type type = plan_column(&binder->plan->columns, step->scope.columns[i].id)->type, common;
        if (type_common(binder->arena, r->types[i], type, &common) &&
            type_equal(common, r->types[i])) {
            continue;
        }
        Buf first, other;
        buf_init(&first, binder->arena, 1024);
        buf_init(&other, binder->arena, 1024);
        type_print(&first, r->types[i]);
        type_print(&other, type);
        error_set_at(binder->err, ERR_SYNTAX, body->at.line, body->at.column,
                     "column %u of the recursive query is of type " STR_FORMAT
                     " in its first part and of type " STR_FORMAT " in its step",
                     i + 1, STR_ARGS(buf_view(&first)), STR_ARGS(buf_view(&other)));
        return error_hint(binder->err, "Cast it in one of the parts.");
    }
    return TRIB_OK;
}

/* The step's rows, each once, that are not among all rows so far. */
static Status new_rows_only(Binder *binder, const AstBody *body, const Recursion *r,
                            LogicalNode **step) {
    AstExpr at = {.at = body->at};
    LogicalNode *distinct, *seen, *join;
    TRY(bind_distinct(binder, body->at, *step, &distinct));
    TRY(working_node(binder, r, true, &seen));
    TRY_ALLOC(join, logical_new(binder->arena, LOGICAL_JOIN, r->ncolumns, 2), binder->err);
    memcpy(join->output, distinct->output, r->ncolumns * sizeof *join->output);
    join->children[0] = distinct;
    join->children[1] = seen;
    join->join = JOIN_ANTI;
    TRY_ALLOC(join->conjuncts, ARENA_ARRAY(binder->arena, Expr *, r->ncolumns), binder->err);
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        Expr *pair[2], *differs;
        TRY(bind_column(binder, distinct->output[i], &pair[0]));
        TRY(bind_column(binder, seen->output[i], &pair[1]));
        TRY(bind_call_id(binder, &at, TRIB_FN_is_distinct_from, 2, pair, &differs));
        TRY_ALLOC(join->conjuncts[join->nconjuncts++],
                  expr_boolean(binder->arena, EXPR_NOT, 1, &differs), binder->err);
    }
    *step = join;
    return TRIB_OK;
}

static Status recursive_node(Binder *binder, const AstBody *body, const Bound *first,
                             const Bound *step, const Recursion *r, Bound *out) {
    LogicalNode *sides[2], *node;
    TRY(bind_coerced(binder, first, r->types, &sides[0]));
    TRY(bind_coerced(binder, step, r->types, &sides[1]));
    if (!body->all) {
        TRY(bind_distinct(binder, body->at, sides[0], &sides[0]));
        TRY(new_rows_only(binder, body, r, &sides[1]));
    }
    TRY_ALLOC(node, logical_new(binder->arena, LOGICAL_RECURSIVE, r->ncolumns, 2), binder->err);
    TRY_ALLOC(node->inputs, ARENA_ARRAY(binder->arena, ColumnId *, 2), binder->err);
    node->recursion = r->id;
    node->distinct = !body->all;
    node->line = body->at.line;
    node->column = body->at.column;
    *out = (Bound){.node = node};
    for (uint32_t s = 0; s < 2; s++) {
        node->children[s] = sides[s];
        node->inputs[s] = sides[s]->output;
    }
    for (uint32_t i = 0; i < r->ncolumns; i++) {
        ScopeColumn column = {.name = first->scope.columns[i].name};
        TRY(bind_new_column(binder, column.name, r->types[i], true, &node->output[i]));
        column.id = node->output[i];
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

static const char *shape_refused(const AstQuery *query) {
    if (query->nctes) return "cannot stand in a query with a WITH of its own";
    if (query->norder || query->limit || query->offset)
        return "cannot stand in a query with ORDER BY, OFFSET or LIMIT";
    if (query->body->kind != AST_BODY_SET || query->body->set != AST_UNION)
        return "needs a query of the form: first part UNION [ALL] step";
    return NULL;
}

/* Binds a query that may name itself. *recursive false: it does not, and is bound like any other. */
static Status bind_recursive(Binder *binder, const CteScope *cte, Bound *out, bool *recursive) {
    const AstQuery *query = cte->cte->query;
    const AstBody *body = query->body;
    Recursion r = {.id = ++binder->recursions,
                   .depth = binder->recursion_depth + 1,
                   .refused = shape_refused(query)};
    CteScope self = *cte;
    Bound first, step;
    bool ordered;
    self.recursion = &r;
    self.next = cte->visible;
    *recursive = false;
    binder->recursion_depth++;
    if (r.refused) {
        TRY(bind_query(binder, query, &self, cte->outer, out));
    } else {
        r.refused = "cannot stand in the first part of the query";
        TRY(bind_query_body(binder, body->left, NULL, &self, cte->outer, &first, &ordered));
        r.refused = NULL;
        TRY(first_types(binder, &first, &r));
        TRY(bind_query_body(binder, body->right, NULL, &self, cte->outer, &step, &ordered));
        *recursive = r.references > 0;
    }
    binder->recursion_depth--;
    if (!*recursive) return TRIB_OK;
    TRY(check_step(binder, body, &step, &r));
    return recursive_node(binder, body, &first, &step, &r, out);
}

/* Does the name stand anywhere in the query's text? If not, it cannot be recursive. */
static bool names_itself(const AstCte *cte) {
    Str text = cte->query->text, name = cte->name.text;
    for (size_t i = 0; i + name.len <= text.len; i++) {
        if (str_equal_fold((Str){text.data + i, name.len}, name)) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- uses */

const CteScope *bind_find_cte(const CteScope *ctes, const AstQualifiedName *name) {
    if (name->count != 1) return NULL;
    for (; ctes; ctes = ctes->next) {
        if (str_equal_fold(ctes->cte->name.text, name->parts[0].text)) return ctes;
    }
    return NULL;
}

#define DEPENDENT_MOST 10000 /* times that queries are bound anew */

static Status bind_anew(Binder *binder, const CteScope *cte, AstPosition at, Bound *out) {
    bool recursive = false;
    TRY(bind_enter(binder, at));
    if (cte->recursive && names_itself(cte->cte)) TRY(bind_recursive(binder, cte, out, &recursive));
    if (!recursive) TRY(bind_query(binder, cte->cte->query, cte->visible, cte->outer, out));
    bind_leave(binder);
    return bind_rename_columns(binder, &out->scope, cte->cte->ncolumns, cte->cte->columns, at);
}

static Status use_new(Binder *binder, const CteState *state, AstPosition at, LogicalNode **out) {
    uint32_t n = state->plan->ncolumns;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_CTE, n, NULL, &node));
    TRY_ALLOC(node->table_columns, ARENA_ARRAY(binder->arena, uint32_t, n), binder->err);
    for (uint32_t i = 0; i < n; i++) node->table_columns[i] = i;
    node->cte = node->shared = state->plan;
    node->line = at.line;
    node->column = at.column;
    *out = node;
    return TRIB_OK;
}

/* The bound query becomes an entry of the plan's, and `out` its first use. */
static Status define(Binder *binder, CteState *state, AstPosition at, Bound *out) {
    LogicalPlan *plan = binder->plan;
    uint32_t n = out->node->noutput;
    SharedPlan *entry;
    if (plan->nctes == binder->cte_capacity) {
        uint32_t capacity = binder->cte_capacity ? binder->cte_capacity * 2 : 16;
        SharedPlan **list;
        TRY_ALLOC(list, ARENA_ARRAY(binder->arena, SharedPlan *, capacity), binder->err);
        if (plan->nctes) memcpy(list, plan->ctes, plan->nctes * sizeof(SharedPlan *));
        plan->ctes = list;
        binder->cte_capacity = capacity;
    }
    TRY_ALLOC(entry, ARENA_NEW(binder->arena, SharedPlan), binder->err);
    TRY_ALLOC(state->columns, ARENA_ARRAY(binder->arena, PlanColumn, n), binder->err);
    *entry = (SharedPlan){
        .id = plan->nctes + 1, .root = out->node, .ncolumns = n, .ids = out->node->output};
    for (uint32_t i = 0; i < n; i++)
        state->columns[i] = *plan_column(&plan->columns, entry->ids[i]);
    for (uint32_t i = 0; i < out->scope.count; i++)
        TRY(scope_add(binder, &state->scope, &out->scope.columns[i]));
    plan->ctes[plan->nctes++] = entry;
    state->plan = entry;
    TRY(use_new(binder, state, at, &out->node));
    if (n) memcpy(out->node->output, entry->ids, n * sizeof *entry->ids);
    return TRIB_OK;
}

/* A further use: a leaf with columns of its own. */
static Status use_again(Binder *binder, const CteState *state, AstPosition at, Bound *out) {
    TRY(bind_enter(binder, at));
    uint32_t deepest = binder->depth + state->height;
    if (deepest > BIND_MAX_DEPTH) {
        binder->depth = BIND_MAX_DEPTH;
        return bind_enter(binder, at);
    }
    if (deepest > binder->deepest) binder->deepest = deepest;
    bind_leave(binder);
    *out = (Bound){0};
    TRY(use_new(binder, state, at, &out->node));
    for (uint32_t i = 0; i < state->plan->ncolumns; i++) {
        const PlanColumn *c = &state->columns[i];
        ColumnId id;
        TRY(bind_new_column(binder, c->name, c->type, c->nullable, &id));
        binder->plan->columns.columns[id].table = c->table;
        binder->plan->columns.columns[id].table_column = c->table_column;
        out->node->output[i] = id;
    }
    for (uint32_t i = 0; i < state->scope.count; i++) {
        ScopeColumn column = state->scope.columns[i];
        for (uint32_t k = 0; k < state->plan->ncolumns; k++) {
            if (state->plan->ids[k] == state->scope.columns[i].id) column.id = out->node->output[k];
        }
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

Status bind_cte(Binder *binder, const CteScope *cte, AstPosition at, Bound *out) {
    CteState *state = cte->state;
    bool again = state->used;
    state->used = true;
    if (cte->recursion) return bind_reference(binder, cte, at, out);
    if (state->plan) return use_again(binder, state, at, out);
    if (again && ++binder->dependent > DEPENDENT_MOST) {
        error_set_at(
            binder->err, ERR_LIMIT, at.line, at.column,
            "WITH queries that use columns of enclosing queries are used more than %d times",
            DEPENDENT_MOST);
        return error_hint(binder->err, "Write them as derived tables, or with fewer uses.");
    }
    ColumnId before = binder->plan->columns.count, outer = binder->lowest_outer;
    uint32_t deepest = binder->deepest, step = binder->lowest_step;
    binder->lowest_outer = UINT32_MAX;
    binder->lowest_step = UINT32_MAX;
    binder->deepest = binder->depth;
    TRY(bind_anew(binder, cte, at, out));
    bool depends = binder->lowest_outer <= before || binder->lowest_step <= binder->recursion_depth;
    state->height = binder->deepest - binder->depth;
    if (outer < binder->lowest_outer) binder->lowest_outer = outer;
    if (step < binder->lowest_step) binder->lowest_step = step;
    if (deepest > binder->deepest) binder->deepest = deepest;
    return depends ? TRIB_OK : define(binder, state, at, out);
}

static Status check_names(Binder *binder, const AstQuery *query) {
    for (uint32_t i = 0; i < query->nctes; i++) {
        const AstName *name = &query->ctes[i].name;
        for (uint32_t k = 0; k < i; k++) {
            if (!str_equal_fold(name->text, query->ctes[k].name.text)) continue;
            return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                                "WITH names '" STR_FORMAT "' twice", STR_ARGS(name->text));
        }
    }
    return TRIB_OK;
}

Status bind_with(Binder *binder, const AstQuery *query, const Scope *outer, const CteScope **ctes) {
    TRY(check_names(binder, query));
    for (uint32_t i = 0; i < query->nctes; i++) {
        CteScope *cte;
        TRY_ALLOC(cte, ARENA_NEW(binder->arena, CteScope), binder->err);
        *cte = (CteScope){.next = *ctes,
                          .cte = &query->ctes[i],
                          .visible = *ctes,
                          .outer = outer,
                          .recursive = query->recursive};
        TRY_ALLOC(cte->state, ARENA_NEW(binder->arena, CteState), binder->err);
        *ctes = cte;
    }
    return TRIB_OK;
}

/* The last of a query's expressions is the first of the list. */
Status bind_unused_ctes(Binder *binder, const AstQuery *query, const CteScope *ctes) {
    for (uint32_t i = query->nctes; i-- > 0; ctes = ctes->next) {
        Bound ignored = {0};
        if (!ctes->state->used) TRY(bind_anew(binder, ctes, ctes->cte->name.at, &ignored));
    }
    return TRIB_OK;
}
