/*
 * group.c - grouping of one SELECT: GROUP BY, aggregates, HAVING.
 *
 * Expressions have been bound over the columns of FROM, with aggregates as nodes. A second pass replaces,
 * in what stands above the grouping, expressions equal to a grouping expression by its column and
 * aggregates by theirs; a plain column that is left is the classic mistake.
 */
#include "engine/bind/select.h"

bool select_has_aggregate(const Expr *e) {
    if (e->kind == EXPR_AGGREGATE || e->kind == EXPR_GROUPING) return true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (select_has_aggregate(e->args[i])) return true;
    }
    return false;
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
    Str name = plan_column(&self->binder->plan->columns, e->as.column_id)->name;
    for (uint32_t i = 0; i < self->scope.count; i++) { /* as it is called here */
        if (self->scope.columns[i].id == e->as.column_id) name = self->scope.columns[i].name;
    }
    error_set_at(self->binder->err, ERR_SYNTAX, e->line, e->column,
                 "column '" STR_FORMAT "' must stand in GROUP BY or inside an aggregate",
                 STR_ARGS(name));
    return error_hint(self->binder->err, "Add it to GROUP BY, or take any_value(" STR_FORMAT ").",
                      STR_ARGS(name));
}

/* In a sub-query a column of this SELECT: seen from there the grouping lies in between. */
static Expr *replace_outer(void *context, const Expr *e) {
    SelectBinder *self = context;
    Expr *column = NULL;
    if (self->status != TRIB_OK || !logical_has_output(self->node, e->as.column_id)) return NULL;
    for (uint32_t g = 0; g < self->ngroups; g++) {
        const Expr *group = self->groups[g];
        if (group->kind != EXPR_COLUMN || group->as.column_id != e->as.column_id) continue;
        self->status = bind_outer_column(self->binder, self->group_ids[g], &column);
        return column;
    }
    self->status = not_grouped(self, e);
    return NULL;
}

static Expr *replace_grouped(void *context, const Expr *e);

/* A sub-query above the grouping, with its operands. */
static Status grouped_subquery(SelectBinder *self, const Expr *e, Expr **out) {
    Binder *binder = self->binder;
    Expr *copy, **args;
    TRY_ALLOC(copy, ARENA_NEW(binder->arena, Expr), binder->err);
    TRY_ALLOC(args, ARENA_ARRAY(binder->arena, Expr *, e->nargs), binder->err);
    *copy = *e;
    copy->args = args;
    for (uint32_t i = 0; i < e->nargs; i++) {
        TRY(expr_rewrite(binder->arena, e->args[i], replace_grouped, self, &args[i], binder->err));
        if (self->status != TRIB_OK) return self->status;
    }
    TRY(bind_replace_outer(binder, e->as.plan, replace_outer, self, &copy->as.plan));
    *out = copy;
    return self->status;
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
    if (e->kind == EXPR_GROUPING) {
        self->status = select_grouping_column(self, e, &column);
        return column;
    }
    if (e->kind == EXPR_COLUMN) self->status = not_grouped(self, e);
    if (e->kind == EXPR_SUBQUERY) {
        self->status = grouped_subquery(self, e, &column);
        return column;
    }
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
        if (select_has_aggregate(self->items[i].expr)) return true;
    }
    return false;
}

/* Ids for the columns of the grouping expressions behind the grouping. */
static Status name_groups(SelectBinder *self) {
    Binder *binder = self->binder;
    bool plain = select_plain_grouping(self);
    TRY_ALLOC(self->group_ids, ARENA_ARRAY(binder->arena, ColumnId, self->ngroups), binder->err);
    for (uint32_t g = 0; g < self->ngroups; g++) {
        const Expr *e = self->groups[g];
        PlanColumn origin = {.name = STR("group")};
        if (e->kind == EXPR_COLUMN) origin = *plan_column(&binder->plan->columns, e->as.column_id);
        bool nullable = bind_nullable(binder, e) || !select_in_all_sets(self, g);
        TRY(bind_new_column(binder, origin.name, e->type, nullable, &self->group_ids[g]));
        if (!plain) continue;
        binder->plan->columns.columns[self->group_ids[g]].table = origin.table;
        binder->plan->columns.columns[self->group_ids[g]].table_column = origin.table_column;
    }
    return TRIB_OK;
}

static Status group_plainly(SelectBinder *self) {
    LogicalNode *node;
    TRY(bind_node(self->binder, LOGICAL_AGGREGATE, self->ngroups + self->naggregates, self->node,
                  &node));
    node->ngroups = self->ngroups;
    node->groups = self->groups;
    node->naggregates = self->naggregates;
    node->aggregates = self->aggregates;
    for (uint32_t g = 0; g < self->ngroups; g++) node->output[g] = self->group_ids[g];
    for (uint32_t a = 0; a < self->naggregates; a++)
        node->output[self->ngroups + a] = self->aggregate_ids[a];
    self->node = node;
    return TRIB_OK;
}

Status select_group(SelectBinder *self) {
    TRY(select_bind_groups(self));
    TRY(name_groups(self));
    for (uint32_t i = 0; i < self->nitems; i++)
        TRY(rewrite_grouped(self, &self->items[i].expr, self->items[i].at));
    if (self->having) TRY(rewrite_grouped(self, &self->having, self->select->at));
    TRY(select_plain_grouping(self) ? group_plainly(self) : select_expand_sets(self));
    if (self->having) TRY(bind_filter(self->binder, self->node, self->having, &self->node));
    return TRIB_OK;
}
