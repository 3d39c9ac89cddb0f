/*
 * select.c - one SELECT: FROM, WHERE, HAVING, the select list, DISTINCT, ORDER BY, LIMIT; group.c has its
 * grouping.
 *
 * All expressions are bound over the columns of FROM first, with aggregates as nodes. If there is any
 * grouping, a second pass puts columns of the grouping into what stands above it.
 */
#include "engine/bind/select.h"

ExprScope select_scope(const SelectBinder *self, bool aggregates, const char *clause) {
    return (ExprScope){
        .scope = &self->scope, .ctes = self->ctes, .aggregates = aggregates, .clause = clause};
}

static Status add_item(SelectBinder *self, Expr *expr, Str name, AstPosition at, bool hidden) {
    Binder *binder = self->binder;
    if (self->nitems >= SQL_MAX_COLUMNS) {
        return error_set_at(binder->err, ERR_LIMIT, at.line, at.column,
                            "a query has at most %d columns", SQL_MAX_COLUMNS);
    }
    if (self->nitems == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        SelectItem *items;
        TRY_ALLOC(items, ARENA_ARRAY(binder->arena, SelectItem, capacity), binder->err);
        if (self->nitems) memcpy(items, self->items, self->nitems * sizeof *items);
        self->items = items;
        self->capacity = capacity;
    }
    self->items[self->nitems++] = (SelectItem){expr, name, at, hidden};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the select list */

/* The fields of a row, a column each. */
static Status add_fields(SelectBinder *self, const AstExpr *star, Expr *row) {
    Binder *binder = self->binder;
    const TribTypeFields *fields = row->type.fields;
    if (fields->count > 1) TRY(bind_repeated(binder, star, row, fields->count, ".*"));
    for (uint32_t i = 0; i < fields->count; i++) {
        Expr *field;
        const char *name = fields->field[i].name;
        TRY(bind_row_field(binder, row, i, &field));
        if (name == NULL)
            TRY_ALLOC(name, arena_printf(binder->arena, "_col%u", self->nitems), binder->err);
        TRY(add_item(self, field, str_from(name), star->at, false));
    }
    return TRIB_OK;
}

static Status add_star(SelectBinder *self, const ExprScope *scope, const AstExpr *star) {
    Binder *binder = self->binder;
    uint32_t before = self->nitems;
    for (uint32_t i = 0; i < self->scope.count; i++) {
        const ScopeColumn *c = &self->scope.columns[i];
        if (c->hidden || (star->name.count == 0 && c->qualified_only)) continue;
        if (!scope_qualified(c, &star->name, star->name.count)) continue;
        Expr *column;
        TRY(bind_column(binder, c->id, &column));
        TRY(add_item(self, column, c->name, star->at, false));
    }
    if (self->nitems > before) return TRIB_OK;
    if (star->name.count > 0) { /* no table's name: a column that is a row? */
        Expr *row;
        AstExpr *name;
        TRY_ALLOC(name, ARENA_NEW(binder->arena, AstExpr), binder->err);
        *name = (AstExpr){.kind = AST_NAME, .at = star->at, .name = star->name};
        TRY(bind_quietly(binder, scope, name, &row));
        if (row != NULL && row->type.id == TRIB_TYPE_ROW) return add_fields(self, star, row);
    }
    if (star->name.count == 0) {
        return error_set_at(binder->err, ERR_SYNTAX, star->at.line, star->at.column,
                            "SELECT * needs a FROM clause");
    }
    return error_set_at(binder->err, ERR_TABLE_NOT_FOUND, star->at.line, star->at.column,
                        "there is no table '" STR_FORMAT "' in FROM",
                        STR_ARGS(star->name.parts[star->name.count - 1].text));
}

/* The label of an item without an alias: a column's name, else _colN as in Trino. */
static Status item_name(SelectBinder *self, const AstSelectItem *item, Str *out) {
    if (item->alias.text.len) {
        *out = item->alias.text;
    } else if (item->expr->kind == AST_NAME) {
        *out = item->expr->name.parts[item->expr->name.count - 1].text;
        const ScopeColumn *column;
        bool enclosing;
        Error ignored;
        Binder quiet = *self->binder;
        quiet.err = &ignored;
        /* the case of the source's spelling, not of the query's */
        if (scope_find(&quiet, &self->scope, &item->expr->name, &column, &enclosing) == TRIB_OK)
            *out = column->name;
    } else {
        char *text;
        TRY_ALLOC(text, arena_printf(self->binder->arena, "_col%u", self->nitems),
                  self->binder->err);
        *out = str_from(text);
    }
    return TRIB_OK;
}

/* (row).* */
static Status add_row_star(SelectBinder *self, const ExprScope *scope, const AstExpr *star) {
    Binder *binder = self->binder;
    Expr *row;
    TRY(bind_expr(binder, scope, star->args[0], &row));
    if (row->type.id != TRIB_TYPE_ROW) {
        Buf text;
        buf_init(&text, binder->arena, 1024);
        type_print(&text, row->type);
        return error_set_at(binder->err, ERR_SYNTAX, star->at.line, star->at.column,
                            ".* stands behind rows, not behind a value of type " STR_FORMAT,
                            STR_ARGS(buf_view(&text)));
    }
    return add_fields(self, star, row);
}

static Status bind_star_item(SelectBinder *self, const ExprScope *scope,
                             const AstSelectItem *item) {
    uint32_t first = self->nitems;
    const AstExpr *star = item->expr;
    TRY(star->nargs ? add_row_star(self, scope, star) : add_star(self, scope, star));
    if (item->ncolumn_aliases == 0) return TRIB_OK;
    if (item->ncolumn_aliases != self->nitems - first) {
        return error_set_at(self->binder->err, ERR_SYNTAX, star->at.line, star->at.column,
                            "%u column names are given for %u columns", item->ncolumn_aliases,
                            self->nitems - first);
    }
    for (uint32_t i = 0; i < item->ncolumn_aliases; i++)
        self->items[first + i].name = item->column_aliases[i].text;
    return TRIB_OK;
}

static Status bind_items(SelectBinder *self) {
    ExprScope scope = select_scope(self, true, "the select list");
    scope.windows = &self->windows;
    for (uint32_t i = 0; i < self->select->nitems; i++) {
        const AstSelectItem *item = &self->select->items[i];
        if (item->expr->kind == AST_STAR) {
            TRY(bind_star_item(self, &scope, item));
            continue;
        }
        Expr *e;
        Str name;
        TRY(bind_expr(self->binder, &scope, item->expr, &e));
        TRY(bind_settle(self->binder, e, &e));
        TRY(item_name(self, item, &name));
        TRY(add_item(self, e, name, item->expr->at, false));
    }
    self->nvisible = self->nitems;
    return TRIB_OK;
}

Status select_item_of_ordinal(SelectBinder *self, const AstExpr *ast, const char *clause,
                              uint32_t *out) {
    uint64_t n = 0;
    for (size_t i = 0; i < ast->text.len && n <= SQL_MAX_COLUMNS; i++)
        n = n * 10 + (uint64_t)(ast->text.data[i] - '0');
    if (n < 1 || n > self->nvisible) {
        return error_set_at(self->binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%s position " STR_FORMAT
                            " is not in the select list, which has %u columns",
                            clause, STR_ARGS(ast->text), self->nvisible);
    }
    *out = (uint32_t)n - 1;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- ORDER BY */

/* The column of the select list with a name; *out = nvisible if there is none. The same column twice is
 * no matter, two different ones are. */
static Status item_by_name(const SelectBinder *self, const AstName *name, uint32_t *out) {
    *out = self->nvisible;
    for (uint32_t i = 0; i < self->nvisible; i++) {
        if (!str_equal_fold(self->items[i].name, name->text)) continue;
        if (*out == self->nvisible) *out = i;
        if (expr_equal(self->items[i].expr, self->items[*out].expr)) continue;
        return error_set_at(self->binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                            "'" STR_FORMAT "' is ambiguous: columns %u and %u of the select list "
                            "have this name",
                            STR_ARGS(name->text), *out + 1, i + 1);
    }
    return TRIB_OK;
}

static Status selected_column(void *context, const AstName *name, Expr **out) {
    const SelectBinder *self = context;
    uint32_t item;
    TRY(item_by_name(self, name, &item));
    if (item < self->nvisible) *out = self->items[item].expr;
    return TRIB_OK;
}

static Status order_item(SelectBinder *self, const AstOrderItem *item, uint32_t *out) {
    Binder *binder = self->binder;
    if (item->expr->kind == AST_INTEGER)
        return select_item_of_ordinal(self, item->expr, "ORDER BY", out);
    if (item->expr->kind == AST_NAME && item->expr->name.count == 1) {
        TRY(item_by_name(self, &item->expr->name.parts[0], out));
        if (*out < self->nvisible) return TRIB_OK;
    }
    ExprScope scope = select_scope(self, true, "ORDER BY");
    scope.windows = &self->windows;
    scope.selected = selected_column;
    scope.context = self;
    Expr *e;
    TRY(bind_expr(binder, &scope, item->expr, &e));
    TRY(bind_settle(binder, e, &e));
    for (*out = 0; *out < self->nitems; (*out)++) {
        if (expr_equal(self->items[*out].expr, e)) return TRIB_OK;
    }
    if (self->select->distinct) {
        return error_set_at(
            binder->err, ERR_SYNTAX, item->at.line, item->at.column,
            "with SELECT DISTINCT the rows can be ordered only by what is selected");
    }
    return add_item(self, e, STR("sort"), item->at, true);
}

static Status bind_order(SelectBinder *self, const AstQuery *query) {
    Binder *binder = self->binder;
    self->norder = query ? query->norder : 0;
    TRY_ALLOC(self->order, ARENA_ARRAY(binder->arena, uint32_t, self->norder), binder->err);
    for (uint32_t i = 0; i < self->norder; i++) {
        TRY(order_item(self, &query->order[i], &self->order[i]));
        const Expr *e = self->items[self->order[i]].expr;
        if (!type_orderable(e->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, query->order[i].at.line,
                                query->order[i].at.column, "values of type %s cannot be ordered",
                                type_id_name((TypeId)e->type.id));
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the result */

static Status project(SelectBinder *self, ColumnId **ids) {
    Binder *binder = self->binder;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, self->nitems, self->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, self->nitems), binder->err);
    for (uint32_t i = 0; i < self->nitems; i++) {
        const Expr *e = self->items[i].expr;
        node->exprs[i] = self->items[i].expr;
        TRY(bind_new_column(binder, self->items[i].name, e->type, bind_nullable(binder, e),
                            &node->output[i]));
        if (e->kind != EXPR_COLUMN) continue;
        PlanColumn *column = &binder->plan->columns.columns[node->output[i]];
        const PlanColumn *origin = plan_column(&binder->plan->columns, e->as.column_id);
        column->table = origin->table;
        column->table_column = origin->table_column;
    }
    self->node = node;
    *ids = node->output;
    return TRIB_OK;
}

static Status sort(SelectBinder *self, const AstQuery *query, const ColumnId *ids) {
    Binder *binder = self->binder;
    LogicalNode *node;
    TRY(bind_node_same(binder, LOGICAL_SORT, self->node, &node));
    node->nkeys = self->norder;
    TRY_ALLOC(node->keys, ARENA_ARRAY(binder->arena, SortKey, self->norder), binder->err);
    for (uint32_t i = 0; i < self->norder; i++) {
        TRY(bind_column(binder, ids[self->order[i]], &node->keys[i].expr));
        node->keys[i].descending = query->order[i].descending;
        node->keys[i].nulls_first = query->order[i].nulls == AST_NULLS_FIRST;
    }
    self->node = node;
    return TRIB_OK;
}

static Status drop_hidden(SelectBinder *self, const ColumnId *ids) {
    Binder *binder = self->binder;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, self->nvisible, self->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, self->nvisible), binder->err);
    for (uint32_t i = 0; i < self->nvisible; i++) {
        node->output[i] = ids[i];
        TRY(bind_column(binder, ids[i], &node->exprs[i]));
    }
    self->node = node;
    return TRIB_OK;
}

static Status bind_from(SelectBinder *self, const Scope *outer) {
    Binder *binder = self->binder;
    if (self->select->from) {
        Bound from;
        TRY(bind_relation(binder, self->select->from, self->ctes, outer, &from));
        self->node = from.node;
        self->scope = from.scope;
    } else {
        TRY(bind_node(binder, LOGICAL_VALUES, 0, NULL, &self->node));
        self->node->nrows = 1;
        TRY_ALLOC(self->node->value_rows, ARENA_ARRAY(binder->arena, Expr **, 1), binder->err);
        TRY_ALLOC(self->node->value_rows[0], ARENA_ARRAY(binder->arena, Expr *, 0), binder->err);
    }
    self->scope.outer = outer;
    if (!self->select->where) return TRIB_OK;
    ExprScope scope = select_scope(self, false, "WHERE");
    Expr *condition;
    TRY(bind_condition(binder, &scope, self->select->where, &condition));
    return bind_filter(binder, self->node, condition, &self->node);
}

Status bind_select(Binder *binder, const AstSelect *select, const AstQuery *query,
                   const CteScope *ctes, const Scope *outer, Bound *out, bool *ordered) {
    SelectBinder self = {.binder = binder, .select = select, .ctes = ctes};
    TRY(select_name_windows(&self));
    TRY(bind_from(&self, outer));
    TRY(bind_items(&self));
    TRY(bind_order(&self, query));
    if (select->having) {
        ExprScope scope = select_scope(&self, true, "HAVING");
        TRY(bind_condition(binder, &scope, select->having, &self.having));
    }
    if (select_is_grouped(&self)) TRY(select_group(&self));
    TRY(select_compute_windows(&self));
    ColumnId *ids;
    TRY(project(&self, &ids));
    if (select->distinct) {
        TRY(bind_distinct(binder, select->at, self.node, &self.node));
        ids = self.node->output;
    }
    if (self.norder) TRY(sort(&self, query, ids));
    *ordered = true;
    if (query) TRY(bind_limit(binder, query, self.node, &self.node));
    if (self.nitems > self.nvisible) TRY(drop_hidden(&self, ids));
    *out = (Bound){.node = self.node};
    for (uint32_t i = 0; i < self.nvisible; i++) {
        ScopeColumn column = {.name = self.items[i].name, .id = ids[i]};
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}
