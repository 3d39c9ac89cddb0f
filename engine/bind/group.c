/*
 * group.c - grouping of one SELECT: GROUP BY, aggregates, HAVING.
 *
 * Expressions have been bound over the columns of FROM, with aggregates as nodes. A second pass replaces,
 * in what stands above the grouping, expressions equal to a grouping expression by its column and
 * aggregates by theirs; a plain column that is left is the classic mistake.
 */
#include "engine/bind/select.h"

static bool has_aggregate(const Expr *e) {
    if (e->kind == EXPR_AGGREGATE) return true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (has_aggregate(e->args[i])) return true;
    }
    return false;
}

static Status bind_groups(SelectBinder *self) {
    Binder *binder = self->binder;
    const AstSelect *select = self->select;
    TRY_ALLOC(self->groups, ARENA_ARRAY(binder->arena, Expr *, select->ngroups), binder->err);
    for (uint32_t i = 0; i < select->ngroups; i++) {
        const AstGroupItem *item = &select->groups[i];
        if (item->kind != AST_GROUP_SIMPLE)
            return bind_unsupported(binder, item->at, "GROUPING SETS, CUBE or ROLLUP");
        const AstExpr *ast = item->sets[0].items[0];
        Expr *e;
        if (ast->kind == AST_INTEGER) {
            uint32_t ordinal;
            TRY(select_item_of_ordinal(self, ast, "GROUP BY", &ordinal));
            e = self->items[ordinal].expr;
            if (has_aggregate(e)) {
                return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                    "GROUP BY position " STR_FORMAT " is an aggregate",
                                    STR_ARGS(ast->text));
            }
        } else {
            ExprScope scope = select_scope(self, false, "GROUP BY");
            TRY(bind_expr(binder, &scope, ast, &e));
            TRY(bind_settle(binder, e, &e));
        }
        if (!type_comparable(e->type)) {
            return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                                "values of type %s cannot be grouped",
                                type_id_name((TypeId)e->type.id));
        }
        bool known = false;
        for (uint32_t g = 0; g < self->ngroups; g++) known |= expr_equal(self->groups[g], e);
        if (!known) self->groups[self->ngroups++] = e;
    }
    return TRIB_OK;
}

/* The column of an aggregate behind the grouping; equal ones are computed once. */
static Status aggregate_column(SelectBinder *self, const Expr *e, ColumnId *out) {
    Binder *binder = self->binder;
    for (uint32_t i = 0; i < self->naggregates; i++) {
        if (!expr_equal(self->aggregates[i], e)) continue;
        *out = self->aggregate_ids[i];
        return TRIB_OK;
    }
    if (self->naggregates == self->aggregate_capacity) {
        uint32_t capacity = self->aggregate_capacity ? self->aggregate_capacity * 2 : 8;
        Expr **aggregates;
        ColumnId *ids;
        TRY_ALLOC(aggregates, ARENA_ARRAY(binder->arena, Expr *, capacity), binder->err);
        TRY_ALLOC(ids, ARENA_ARRAY(binder->arena, ColumnId, capacity), binder->err);
        if (self->naggregates) {
            memcpy(aggregates, self->aggregates, self->naggregates * sizeof *aggregates);
            memcpy(ids, self->aggregate_ids, self->naggregates * sizeof *ids);
        }
        self->aggregates = aggregates;
        self->aggregate_ids = ids;
        self->aggregate_capacity = capacity;
    }
    TRY(bind_new_column(binder, str_from(e->as.agg.aggregate->name), e->type,
                        bind_nullable(binder, e), out));
    Expr *copy;
    TRY_ALLOC(copy, ARENA_NEW(binder->arena, Expr), binder->err);
    *copy = *e;
    self->aggregates[self->naggregates] = copy;
    self->aggregate_ids[self->naggregates++] = *out;
    return TRIB_OK;
}

static Status not_grouped(SelectBinder *self, const Expr *e) {
    const PlanColumn *column = plan_column(&self->binder->plan->columns, e->as.column_id);
    error_set_at(self->binder->err, ERR_SYNTAX, e->line, e->column,
                 "column '" STR_FORMAT "' must stand in GROUP BY or inside an aggregate",
                 STR_ARGS(column->name));
    return error_hint(self->binder->err, "Add it to GROUP BY, or take any_value(" STR_FORMAT ").",
                      STR_ARGS(column->name));
}

static Expr *replace_grouped(void *context, const Expr *e) {
    SelectBinder *self = context;
    Expr *column = NULL;
    if (self->status != TRIB_OK) return NULL;
    for (uint32_t g = 0; g < self->ngroups; g++) {
        if (!expr_equal(self->groups[g], e)) continue;
        self->status = bind_column(self->binder, self->group_ids[g], &column);
        return column;
    }
    if (e->kind == EXPR_AGGREGATE) {
        ColumnId id;
        self->status = aggregate_column(self, e, &id);
        if (self->status == TRIB_OK) self->status = bind_column(self->binder, id, &column);
        return column;
    }
    if (e->kind == EXPR_COLUMN) self->status = not_grouped(self, e);
    return NULL;
}

static Status rewrite_grouped(SelectBinder *self, Expr **e, AstPosition at) {
    Expr *rewritten;
    self->status = TRIB_OK;
    Status status =
        expr_rewrite(self->binder->arena, *e, replace_grouped, self, &rewritten, self->binder->err);
    if (self->status != TRIB_OK) {
        if (self->binder->err->line == 0) {
            self->binder->err->line = at.line;
            self->binder->err->column = at.column;
        }
        return self->status;
    }
    TRY(status);
    *e = rewritten;
    return TRIB_OK;
}

bool select_is_grouped(const SelectBinder *self) {
    if (self->select->ngroups || self->having) return true;
    for (uint32_t i = 0; i < self->nitems; i++) {
        if (has_aggregate(self->items[i].expr)) return true;
    }
    return false;
}

Status select_group(SelectBinder *self) {
    Binder *binder = self->binder;
    TRY(bind_groups(self));
    TRY_ALLOC(self->group_ids, ARENA_ARRAY(binder->arena, ColumnId, self->ngroups), binder->err);
    for (uint32_t g = 0; g < self->ngroups; g++) {
        const Expr *e = self->groups[g];
        PlanColumn origin = {.name = STR("group")};
        if (e->kind == EXPR_COLUMN) origin = *plan_column(&binder->plan->columns, e->as.column_id);
        TRY(bind_new_column(binder, origin.name, e->type, bind_nullable(binder, e),
                            &self->group_ids[g]));
        binder->plan->columns.columns[self->group_ids[g]].table = origin.table;
        binder->plan->columns.columns[self->group_ids[g]].table_column = origin.table_column;
    }
    for (uint32_t i = 0; i < self->nitems; i++)
        TRY(rewrite_grouped(self, &self->items[i].expr, self->items[i].at));
    if (self->having) TRY(rewrite_grouped(self, &self->having, self->select->at));
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_AGGREGATE, self->ngroups + self->naggregates, self->node, &node));
    node->ngroups = self->ngroups;
    node->groups = self->groups;
    node->naggregates = self->naggregates;
    node->aggregates = self->aggregates;
    for (uint32_t g = 0; g < self->ngroups; g++) node->output[g] = self->group_ids[g];
    for (uint32_t a = 0; a < self->naggregates; a++)
        node->output[self->ngroups + a] = self->aggregate_ids[a];
    self->node = node;
    if (self->having) TRY(bind_filter(binder, node, self->having, &self->node));
    return TRIB_OK;
}
