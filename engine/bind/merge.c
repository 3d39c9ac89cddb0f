/*
 * merge.c - MERGE INTO target USING source ON condition WHEN ...
 *
 * The source is joined to the target (LEFT where there is a WHEN NOT MATCHED, else INNER), each pair gets
 * the number of the first clause that holds for it, and what no clause wants is dropped. Rows are numbered
 * among those of one target row: a second one is an error when it arrives, as one row cannot be changed
 * twice. The plan's rows are: the clause's number, the number among equals, the row key, then what each
 * clause stores, which is NULL in rows of other clauses:
 *
 *   WRITE <- PROJECT action, nth, key, values <- WINDOW nth <- FILTER <- PROJECT action <- JOIN
 *
 * One thread, everything in the binder's arena.
 */
#include "engine/bind/write.h"

typedef struct Merging {
    Binder *binder;
    const AstStatement *ast;
    const TribTable *table;
    bool host, inserts, changes; /* is there a WHEN NOT MATCHED, a WHEN MATCHED */
    Bound source, target;
    Scope both; /* the target's columns, then the source's */
    LogicalNode *node;
    ColumnId present, action, nth;
    MergeAction *actions;
    uint32_t nvalues, capacity;
    Expr **values; /* of all clauses */
} Merging;

static Status count_clauses(Merging *self) {
    for (uint32_t i = 0; i < self->ast->nmerge; i++) {
        const AstMergeCase *c = &self->ast->merge[i];
        self->inserts |= c->action == AST_MERGE_INSERT;
        self->changes |= c->action != AST_MERGE_INSERT;
        if (c->action == AST_MERGE_UPDATE) self->capacity += c->nassignments;
        if (c->action == AST_MERGE_INSERT) self->capacity += self->table->ncolumns + c->nvalues;
    }
    if (!self->changes || self->table->nrow_key > 0) return TRIB_OK;
    return error_set_at(self->binder->err, ERR_UNSUPPORTED, self->ast->at.line,
                        self->ast->at.column,
                        "the rows of %s.%s cannot be changed: the table has no key to find them "
                        "again by",
                        self->table->schema, self->table->name);
}

/* ---------------------------------------------------------------- parameters of the source */

static const ScopeColumn *column_of(const Scope *scope, const AstExpr *e) {
    if (e->kind != AST_NAME || e->name.count == 0) return NULL;
    Str name = e->name.parts[e->name.count - 1].text;
    const ScopeColumn *found = NULL;
    for (uint32_t i = 0; i < scope->count; i++) {
        const ScopeColumn *c = &scope->columns[i];
        if (!str_equal_fold(c->name, name)) continue;
        if (e->name.count > 1 && !scope_qualified(c, &e->name, e->name.count - 1)) continue;
        if (found) return NULL;
        found = c;
    }
    return found;
}

/* A column of the source that is nothing but parameters takes the type of what it stands beside. */
static void adopt_type(Merging *self, const AstExpr *value, Type type) {
    const ScopeColumn *column = column_of(&self->source.scope, value);
    if (!column) return;
    if (self->source.node->kind == LOGICAL_VALUES)
        bind_adopt_values(self->binder, self->source.node, column->id, type);
    else
        bind_adopt(self->binder, self->source.node, column->id, type);
}

static void adopt_condition(Merging *self, const AstExpr *on) {
    if (on->kind == AST_AND) {
        for (uint32_t i = 0; i < on->nargs; i++) adopt_condition(self, on->args[i]);
        return;
    }
    if (on->kind != AST_BINARY_OP || on->op != TRIB_FN_eq) return;
    for (int side = 0; side < 2; side++) {
        const ScopeColumn *target = column_of(&self->target.scope, on->args[side]);
        if (!target || column_of(&self->source.scope, on->args[side])) continue;
        adopt_type(self, on->args[1 - side],
                   plan_column(&self->binder->plan->columns, target->id)->type);
    }
}

static Status adopt_types(Merging *self) {
    adopt_condition(self, self->ast->on);
    for (uint32_t i = 0; i < self->ast->nmerge; i++) {
        const AstMergeCase *c = &self->ast->merge[i];
        uint32_t n, *columns, one;
        for (uint32_t a = 0; a < c->nassignments; a++) {
            TRY(bind_target_column(self->binder, self->table, &c->assignments[a].column, &one));
            adopt_type(self, c->assignments[a].value, self->table->columns[one].type);
        }
        if (c->action != AST_MERGE_INSERT) continue;
        TRY(bind_insert_columns(self->binder, c->ncolumns, c->columns, self->table, &n, &columns));
        for (uint32_t v = 0; v < c->nvalues && v < n; v++)
            adopt_type(self, c->values[v], self->table->columns[columns[v]].type);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- pairs */

/* A projection that passes on what is below, and has room for `more` columns behind. */
static Status widen(Binder *binder, LogicalNode *child, uint32_t more, LogicalNode **out) {
    uint32_t n = child->noutput;
    TRY(bind_node(binder, LOGICAL_PROJECT, n + more, child, out));
    TRY_ALLOC((*out)->exprs, ARENA_ARRAY(binder->arena, Expr *, n + more), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        (*out)->output[i] = child->output[i];
        TRY(bind_column(binder, child->output[i], &(*out)->exprs[i]));
    }
    return TRIB_OK;
}

static Status integer_constant(Binder *binder, Type type, int64_t number, bool null, Expr **out) {
    Value value = {.type = type, .is_null = null};
    value.as.integer = number;
    TRY_ALLOC(*out, expr_constant(binder->arena, value), binder->err);
    return TRIB_OK;
}

/* The target's rows with a column that is true: NULL behind an outer join says that there was none. */
static Status mark_present(Merging *self) {
    Binder *binder = self->binder;
    LogicalNode *node;
    uint32_t n = self->target.node->noutput;
    TRY(widen(binder, self->target.node, 1, &node));
    TRY(integer_constant(binder, TYPE(BOOLEAN), true, false, &node->exprs[n]));
    TRY(bind_new_column(binder, STR("present"), TYPE(BOOLEAN), true, &self->present));
    node->output[n] = self->present;
    self->target.node = node;
    return TRIB_OK;
}

static Status join_pairs(Merging *self) {
    Binder *binder = self->binder;
    LogicalNode *join, *left = self->source.node, *right = self->target.node;
    uint32_t n = left->noutput;
    TRY_ALLOC(join, logical_new(binder->arena, LOGICAL_JOIN, n + right->noutput, 2), binder->err);
    join->children[0] = left;
    join->children[1] = right;
    join->join = self->inserts ? JOIN_LEFT : JOIN_INNER;
    join->line = self->ast->at.line;
    join->column = self->ast->at.column;
    if (n) memcpy(join->output, left->output, n * sizeof *join->output);
    memcpy(join->output + n, right->output, right->noutput * sizeof *join->output);
    const Scope *sides[] = {&self->target.scope, &self->source.scope};
    for (int s = 0; s < 2; s++) {
        for (uint32_t i = 0; i < sides[s]->count; i++) {
            TRY(scope_add(binder, &self->both, &sides[s]->columns[i]));
            if (s == 0 && self->inserts)
                binder->plan->columns.columns[sides[s]->columns[i].id].nullable = true;
        }
    }
    ExprScope scope = {.scope = &self->both, .clause = "ON"};
    Expr *condition;
    TRY(bind_condition(binder, &scope, self->ast->on, &condition));
    TRY(bind_conjuncts(binder, join, condition));
    self->node = join;
    return TRIB_OK;
}

/* When a clause is meant: WHEN [NOT] MATCHED [AND condition]. */
static Status clause_condition(Merging *self, const AstMergeCase *c, Expr **out) {
    Binder *binder = self->binder;
    Expr *parts[2], *present;
    TRY(bind_column(binder, self->present, &present));
    TRY_ALLOC(parts[0], expr_new(binder->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &present),
              binder->err);
    parts[0]->negated = c->action != AST_MERGE_INSERT;
    *out = parts[0];
    if (!c->condition) return TRIB_OK;
    ExprScope scope = {.scope = &self->both, .clause = "WHEN"};
    TRY(bind_condition(binder, &scope, c->condition, &parts[1]));
    TRY_ALLOC(*out, expr_boolean(binder->arena, EXPR_AND, 2, parts), binder->err);
    return TRIB_OK;
}

/* Each pair's clause, and only the pairs that have one. */
static Status choose_clauses(Merging *self) {
    Binder *binder = self->binder;
    uint32_t n = self->node->noutput, nargs = 2 * self->ast->nmerge + 1;
    LogicalNode *node;
    Expr **args, *chosen;
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, nargs), binder->err);
    for (uint32_t i = 0; i < self->ast->nmerge; i++) {
        TRY(clause_condition(self, &self->ast->merge[i], &args[2 * i]));
        TRY(integer_constant(binder, TYPE(INTEGER), i, false, &args[2 * i + 1]));
    }
    TRY(integer_constant(binder, TYPE(INTEGER), 0, true, &args[nargs - 1]));
    TRY(widen(binder, self->node, 1, &node));
    TRY_ALLOC(node->exprs[n], expr_new(binder->arena, EXPR_CASE, TYPE(INTEGER), nargs, args),
              binder->err);
    TRY(bind_new_column(binder, STR("action"), TYPE(INTEGER), true, &self->action));
    node->output[n] = self->action;
    TRY(bind_column(binder, self->action, &chosen));
    TRY_ALLOC(chosen, expr_new(binder->arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &chosen),
              binder->err);
    chosen->negated = true;
    return bind_filter(binder, node, chosen, &self->node);
}

/* ---------------------------------------------------------------- one change per row */

static Status number_call(Merging *self, uint32_t nkeys, Expr *const *keys, Expr **out) {
    Binder *binder = self->binder;
    ResolvedWindowFunction f;
    WindowCall *call;
    TRY(window_function_resolve(binder->arena, STR("row_number"), 0, NULL, &f, binder->err));
    TRY_ALLOC(call, ARENA_NEW(binder->arena, WindowCall), binder->err);
    *call = (WindowCall){.function = f.function,
                         .filter = NO_ARG,
                         .npartition = nkeys,
                         .order = nkeys,
                         .unit = FRAME_RANGE,
                         .start = {BOUND_UNBOUNDED_PRECEDING, NO_ARG, NO_ARG, NO_ARG},
                         .end = {BOUND_CURRENT, NO_ARG, NO_ARG, NO_ARG}};
    TRY_ALLOC(*out, expr_new(binder->arena, EXPR_WINDOW, f.result, nkeys, keys), binder->err);
    (*out)->as.window = call;
    return TRIB_OK;
}

/* Numbers the pairs of each row of the target; those without one have a NULL for a key. */
static Status number_pairs(Merging *self) {
    Binder *binder = self->binder;
    uint32_t n = self->node->noutput, nkeys = self->table->nrow_key;
    LogicalNode *node;
    Expr **keys;
    TRY_ALLOC(keys, ARENA_ARRAY(binder->arena, Expr *, nkeys), binder->err);
    TRY(bind_node(binder, LOGICAL_WINDOW, n + 1, self->node, &node));
    memcpy(node->output, self->node->output, n * sizeof *node->output);
    TRY_ALLOC(node->keys, ARENA_ARRAY(binder->arena, SortKey, nkeys), binder->err);
    TRY_ALLOC(node->windows, ARENA_NEW(binder->arena, Expr *), binder->err);
    for (uint32_t i = 0; i < nkeys; i++) {
        TRY(bind_column(binder, self->target.scope.columns[self->table->row_key[i]].id, &keys[i]));
        node->keys[i].expr = keys[i];
    }
    node->nkeys = node->npartition = nkeys;
    node->nwindows = 1;
    TRY(number_call(self, nkeys, keys, &node->windows[0]));
    TRY(bind_new_column(binder, STR("nth"), node->windows[0]->type, false, &self->nth));
    node->output[n] = self->nth;
    self->node = node;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- what the clauses store */

/* One value of clause `index`, for column `column` of the table. */
static Status value_add(Merging *self, uint32_t index, uint32_t column, Expr *value) {
    Binder *binder = self->binder;
    MergeAction *action = &self->actions[index];
    Expr *args[3], *mine[2];
    AstExpr place = {.at = self->ast->merge[index].at};
    TRY(bind_column(binder, self->action, &mine[0]));
    TRY(integer_constant(binder, TYPE(INTEGER), index, false, &mine[1]));
    TRY(bind_call_id(binder, &place, TRIB_FN_eq, 2, mine, &args[0]));
    args[1] = value;
    TRY(integer_constant(binder, value->type, 0, true, &args[2]));
    Expr *stored;
    TRY_ALLOC(stored, expr_new(binder->arena, EXPR_CASE, value->type, 3, args), binder->err);
    uint32_t nkeys = self->changes ? self->table->nrow_key : 0;
    action->columns[action->ncolumns] = column;
    action->places[action->ncolumns++] = MERGE_FIRST + nkeys + self->nvalues;
    self->values[self->nvalues++] = stored;
    return TRIB_OK;
}

static Status action_new(Merging *self, uint32_t index, TribWriteKind kind, uint32_t room) {
    Binder *binder = self->binder;
    MergeAction *action = &self->actions[index];
    *action = (MergeAction){.kind = kind};
    if (kind != TRIB_WRITE_INSERT) room += self->table->nrow_key;
    TRY_ALLOC(action->columns, ARENA_ARRAY(binder->arena, uint32_t, room), binder->err);
    TRY_ALLOC(action->places, ARENA_ARRAY(binder->arena, uint32_t, room), binder->err);
    if (kind == TRIB_WRITE_INSERT) return TRIB_OK;
    for (uint32_t i = 0; i < self->table->nrow_key; i++) {
        action->columns[i] = self->table->row_key[i];
        action->places[i] = MERGE_FIRST + i;
    }
    action->nkeys = action->ncolumns = self->table->nrow_key;
    return TRIB_OK;
}

static Status update_values(Merging *self, uint32_t index, const AstMergeCase *c) {
    Binder *binder = self->binder;
    ExprScope scope = {.scope = &self->both, .clause = "SET"};
    uint32_t *columns;
    TRY(action_new(self, index, TRIB_WRITE_UPDATE, c->nassignments));
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, uint32_t, c->nassignments), binder->err);
    TRY(bind_assigned_columns(binder, self->table, c->nassignments, c->assignments, columns));
    for (uint32_t i = 0; i < c->nassignments; i++) {
        Expr *value;
        TRY(bind_assigned(binder, &scope, self->host, &self->table->columns[columns[i]],
                          &c->assignments[i], &value));
        TRY(value_add(self, index, columns[i], value));
    }
    return TRIB_OK;
}

/* A column that the source numbers or computes when it is left out says DEFAULT by being left out. */
static bool left_out(const Merging *self, const AstExpr *value, uint32_t column) {
    return bind_is_default(value) && (!self->host || self->table->identity == column + 1);
}

static Status insert_given(Merging *self, uint32_t index, const AstMergeCase *c, uint32_t n,
                           const uint32_t *columns) {
    Binder *binder = self->binder;
    ExprScope scope = {.scope = &self->both, .clause = "VALUES"};
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *column = &self->table->columns[columns[i]];
        AstAssignment assignment = {.value = c->values[i]};
        Expr *value;
        if (left_out(self, c->values[i], columns[i])) continue;
        TRY(bind_assigned(binder, &scope, self->host, column, &assignment, &value));
        TRY(value_add(self, index, columns[i], value));
    }
    return TRIB_OK;
}

static Status insert_values(Merging *self, uint32_t index, const AstMergeCase *c) {
    Binder *binder = self->binder;
    uint32_t n, *columns, all, *carried;
    TRY(bind_insert_columns(binder, c->ncolumns, c->columns, self->table, &n, &columns));
    if (n != c->nvalues) {
        return error_set_at(binder->err, ERR_COLUMN_COUNT, c->at.line, c->at.column,
                            "%u columns are to be written, the row has %u", n, c->nvalues);
    }
    TRY(action_new(self, index, TRIB_WRITE_INSERT, n + self->table->ncolumns));
    TRY(insert_given(self, index, c, n, columns));
    carried = columns;
    all = n;
    if (self->host) TRY(bind_carry_defaults(binder, self->table, n, &all, &carried));
    for (uint32_t i = n; i < all; i++) {
        Expr *value;
        TRY(bind_default(binder, &self->table->columns[carried[i]], true, c->at, &value));
        TRY(value_add(self, index, carried[i], value));
    }
    if (self->actions[index].ncolumns > 0) return TRIB_OK;
    return bind_unsupported(binder, c->at, "a row of nothing but DEFAULT in MERGE");
}

static Status bind_actions(Merging *self) {
    Binder *binder = self->binder;
    TRY_ALLOC(self->actions, ARENA_ARRAY(binder->arena, MergeAction, self->ast->nmerge),
              binder->err);
    TRY_ALLOC(self->values, ARENA_ARRAY(binder->arena, Expr *, self->capacity), binder->err);
    for (uint32_t i = 0; i < self->ast->nmerge; i++) {
        const AstMergeCase *c = &self->ast->merge[i];
        switch (c->action) {
        case AST_MERGE_INSERT: TRY(insert_values(self, i, c)); break;
        case AST_MERGE_UPDATE: TRY(update_values(self, i, c)); break;
        case AST_MERGE_DELETE: TRY(action_new(self, i, TRIB_WRITE_DELETE, 0)); break;
        }
    }
    return TRIB_OK;
}

/* The rows as the operator takes them. */
static Status merge_rows(Merging *self, LogicalNode **out) {
    Binder *binder = self->binder;
    uint32_t nkeys = self->changes ? self->table->nrow_key : 0, n = 0;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, MERGE_FIRST + nkeys + self->nvalues, self->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, node->noutput), binder->err);
    TRY(bind_column(binder, self->action, &node->exprs[n++]));
    if (self->changes)
        TRY(bind_column(binder, self->nth, &node->exprs[n++]));
    else
        TRY(integer_constant(binder, TYPE(BIGINT), 1, false, &node->exprs[n++]));
    for (uint32_t i = 0; i < nkeys; i++)
        TRY(bind_column(binder, self->target.scope.columns[self->table->row_key[i]].id,
                        &node->exprs[n++]));
    for (uint32_t i = 0; i < self->nvalues; i++) node->exprs[n++] = self->values[i];
    for (uint32_t i = 0; i < n; i++)
        TRY(bind_new_column(binder, STR("value"), node->exprs[i]->type, true, &node->output[i]));
    *out = node;
    return TRIB_OK;
}

Status bind_merge(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TableRef *ref;
    LogicalNode *rows;
    TRY(bind_existing(binder, &ast->name, out, &ref));
    TRY(bind_writable(binder, out->catalog, ast->at));
    Merging self = {.binder = binder, .ast = ast, .table = &ref->table};
    TRY(count_clauses(&self));
    TRY(bind_host_defaults(binder, out->catalog, &self.host));
    TRY(bind_relation(binder, ast->source, NULL, NULL, &self.source));
    TRY(bind_target_rows(binder, &ast->alias, ref, &self.target));
    TRY(adopt_types(&self));
    TRY(mark_present(&self));
    TRY(join_pairs(&self));
    TRY(choose_clauses(&self));
    if (self.changes) TRY(number_pairs(&self));
    TRY(bind_actions(&self));
    TRY(merge_rows(&self, &rows));
    TRY(bind_write_node(binder, out, rows, TRIB_WRITE_INSERT, (TribTable *)self.table, 0, NULL));
    binder->plan->root->nmerge = ast->nmerge;
    binder->plan->root->merge = self.actions;
    return TRIB_OK;
}
