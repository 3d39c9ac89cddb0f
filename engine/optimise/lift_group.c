/*
 * lift_group.c - conditions on the outer rows and what combines rows: grouping, DISTINCT, scalar sub-queries,
 * unions, VALUES. Keys rise: the rows are combined per key. Everything else is joined with the
 * domain first.
 */
#include "engine/optimise/lift.h"

#define STATE_ALIGN 16 /* of aggregates' states */

Status lift_key_columns(Lifting *self, Lifted *lifted, uint32_t *count, ColumnId **ids) {
    RuleContext *context = self->context;
    ExprList conditions = {0};
    LogicalNode *project;
    uint32_t n = lifted->node->noutput, extra = 0;
    TRY_ALLOC(*ids, ARENA_ARRAY(context->arena, ColumnId, lifted->conditions.count), context->err);
    TRY_ALLOC(project,
              logical_new(context->arena, LOGICAL_PROJECT, n + lifted->conditions.count, 1),
              context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, n + lifted->conditions.count),
              context->err);
    *count = 0;
    for (uint32_t i = 0; i < lifted->conditions.count; i++) {
        LiftKey key;
        Expr *e = lifted->conditions.items[i], *column;
        if (lift_key(self, e, &key)) {
            ColumnId id = key.inner->as.column_id;
            if (key.inner->kind != EXPR_COLUMN) {
                id = plan_column_new(context->columns, STR("key"), key.inner->type, true);
                if (!id) return error_out_of_memory(context->err);
                project->output[n + extra] = id;
                project->exprs[n + extra++] = key.inner;
                TRY_ALLOC(column, rule_column(context, id), context->err);
                TRY(lift_key_over(self, &key, column, &e));
            }
            (*ids)[(*count)++] = id;
        }
        TRY(rule_list_add(context, &conditions, e));
    }
    lifted->conditions = conditions;
    if (extra == 0) return TRIB_OK;
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = lifted->node->output[i];
        TRY_ALLOC(project->exprs[i], rule_column(context, project->output[i]), context->err);
    }
    project->noutput = n + extra;
    project->children[0] = lifted->node;
    lifted->node = project;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- grouping */

/* Appends the keys to the groups of a new node; the conditions become those over the new groups. */
static Status group_by_keys(Lifting *self, LogicalNode *node, uint32_t ngroups, Expr *const *groups,
                            const ColumnId *group_ids, Lifted *lifted) {
    RuleContext *context = self->context;
    ExprList conditions = {0};
    uint32_t most = ngroups + lifted->conditions.count;
    ColumnId *output;
    TRY_ALLOC(node->groups, ARENA_ARRAY(context->arena, Expr *, most), context->err);
    TRY_ALLOC(output, ARENA_ARRAY(context->arena, ColumnId, most + node->naggregates),
              context->err);
    node->ngroups = ngroups;
    for (uint32_t g = 0; g < ngroups; g++) {
        node->groups[g] = groups[g];
        output[g] = group_ids[g];
    }
    for (uint32_t i = 0; i < lifted->conditions.count; i++) {
        LiftKey key;
        Expr *e = lifted->conditions.items[i], *column;
        if (lift_key(self, e, &key)) {
            uint32_t g = node->ngroups++;
            PlanColumn from = {.name = STR("key"), .nullable = true};
            if (key.inner->kind == EXPR_COLUMN)
                from = *plan_column(context->columns, key.inner->as.column_id);
            node->groups[g] = key.inner;
            output[g] =
                plan_column_new(context->columns, from.name, key.inner->type, from.nullable);
            if (!output[g]) return error_out_of_memory(context->err);
            context->columns->columns[output[g]].table = from.table;
            context->columns->columns[output[g]].table_column = from.table_column;
            TRY_ALLOC(column, rule_column(context, output[g]), context->err);
            TRY(lift_key_over(self, &key, column, &e));
        }
        TRY(rule_list_add(context, &conditions, e));
    }
    for (uint32_t a = 0; a < node->naggregates; a++) output[node->ngroups + a] = node->output[a];
    node->output = output;
    node->noutput = node->ngroups + node->naggregates;
    lifted->conditions = conditions;
    return TRIB_OK;
}

/* What the aggregate gives without rows. */
static Status empty_value(RuleContext *context, const Expr *e, Value *out) {
    const Aggregate *aggregate = e->as.agg.aggregate;
    Type *args;
    uint8_t *room, *state;
    Vector result;
    TRY_ALLOC(args, ARENA_ARRAY(context->arena, Type, e->nargs), context->err);
    for (uint32_t i = 0; i < e->nargs; i++) args[i] = e->args[i]->type;
    TRY_ALLOC(room, ARENA_ARRAY(context->arena, uint8_t, aggregate->state_size + STATE_ALIGN),
              context->err);
    state = room + (STATE_ALIGN - (uintptr_t)room % STATE_ALIGN) % STATE_ALIGN;
    aggregate->init(state, args, e->type);
    TRY(vector_new(context->arena, e->type, 1, &result, context->err));
    TRY(aggregate->finish(aggregate, &state, 0, 1, &result, context->arena, context->err));
    return vector_value(context->arena, &result, 0, out, context->err);
}

/* An aggregate that is not NULL without rows, a count for example, is computed from the grouping's own
 * column, which is NULL where the outer row finds no group. */
static Status value_or_empty(Lifting *self, ColumnId id, const Expr *e, ColumnId *own) {
    RuleContext *context = self->context;
    const PlanColumn column = *plan_column(context->columns, id);
    Value empty;
    Expr *args[2], *value;
    TRY(empty_value(context, e, &empty));
    if (empty.is_null) return TRIB_OK;
    *own = plan_column_new(context->columns, column.name, column.type, true);
    if (!*own) return error_out_of_memory(context->err);
    TRY_ALLOC(args[0], rule_column(context, *own), context->err);
    TRY_ALLOC(args[1], expr_constant(context->arena, empty), context->err);
    TRY_ALLOC(value, expr_new(context->arena, EXPR_COALESCE, column.type, 2, args), context->err);
    return lift_compute(self, id, value);
}

/* Do the grouping's own expressions need the outer rows (after what keys replace), or may they raise for
 * rows that nobody asks for? */
static Status needs_domain(Lifting *self, const Lifted *child, uint32_t count, Expr *const *exprs,
                           Expr **out, bool *needed) {
    for (uint32_t i = 0; i < count; i++) {
        const Expr *e = exprs[i];
        Expr *lifted;
        TRY(lift_expr(self, e, &lifted));
        TRY(lift_replace_equal(self, child, lifted, &out[i]));
        bool raises = false;
        for (uint32_t a = 0; a < e->nargs; a++) raises = raises || e->args[a]->may_raise;
        if (e->kind == EXPR_AGGREGATE && e->as.agg.filter)
            raises = raises || e->as.agg.filter->may_raise;
        if (e->kind != EXPR_AGGREGATE) raises = e->may_raise;
        *needed =
            *needed || lift_uses_outer(self, out[i]) || (raises && child->conditions.count > 0);
    }
    return TRIB_OK;
}

static Status aggregate_exprs(Lifting *self, const LogicalNode *node, const Lifted *child,
                              Expr **groups, Expr **aggregates, bool *needed) {
    *needed = child->fills || !lift_all_rise(self, &child->conditions);
    TRY(needs_domain(self, child, node->ngroups, node->groups, groups, needed));
    return needs_domain(self, child, node->naggregates, node->aggregates, aggregates, needed);
}

Status lift_aggregate(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    const LogicalNode *below = node->children[0];
    Expr **groups, **aggregates;
    LogicalNode *copy;
    bool needed, own = false;
    TRY(lift(self, node->children[0], out));
    for (uint32_t i = 0; i < node->ngroups; i++)
        own = own || lift_is_correlated(self, node->groups[i]);
    for (uint32_t i = 0; i < node->naggregates; i++)
        own = own || lift_is_correlated(self, node->aggregates[i]);
    if (!out->correlated && !own) {
        out->node = node;
        return TRIB_OK;
    }
    if (node->nempty) return lift_refuse(self, node, "GROUPING SETS with an empty set");
    TRY_ALLOC(groups, ARENA_ARRAY(context->arena, Expr *, node->ngroups), context->err);
    TRY_ALLOC(aggregates, ARENA_ARRAY(context->arena, Expr *, node->naggregates), context->err);
    TRY(aggregate_exprs(self, node, out, groups, aggregates, &needed));
    if (needed) {
        ExprList more = {0};
        for (uint32_t i = 0; i < node->ngroups; i++) TRY(rule_list_add(context, &more, groups[i]));
        for (uint32_t i = 0; i < node->naggregates; i++)
            TRY(rule_list_add(context, &more, aggregates[i]));
        TRY(lift_bind(self, below->noutput, below->output, &more, out));
        TRY(aggregate_exprs(self, node, out, groups, aggregates, &needed));
    }
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY_ALLOC(copy->output, ARENA_ARRAY(context->arena, ColumnId, node->naggregates), context->err);
    copy->children[0] = out->node;
    copy->aggregates = aggregates;
    out->correlated = true;
    out->fills = node->ngroups == 0;
    for (uint32_t a = 0; a < node->naggregates; a++) {
        copy->output[a] = node->output[node->ngroups + a];
        if (out->fills) TRY(value_or_empty(self, copy->output[a], aggregates[a], &copy->output[a]));
    }
    out->node = copy;
    return group_by_keys(self, copy, node->ngroups, groups, node->output, out);
}

/* ---------------------------------------------------------------- scalar sub-queries */

static Status add_aggregate(Lifting *self, LogicalNode *node, const char *name, Expr *argument,
                            ColumnId *out) {
    RuleContext *context = self->context;
    ResolvedAggregate a;
    Type type = argument ? argument->type : TYPE(UNKNOWN);
    uint32_t nargs = argument ? 1 : 0, i = node->naggregates++;
    TRY(aggregate_resolve(context->arena, str_from(name), nargs, &type, &a, context->err));
    Expr **e = &node->aggregates[i];
    TRY_ALLOC(*e, expr_new(context->arena, EXPR_AGGREGATE, a.result, nargs, &argument),
              context->err);
    (*e)->as.agg.aggregate = a.aggregate;
    expr_derive(*e);
    *out = plan_column_new(context->columns, str_from(name), a.result, true);
    if (!*out) return error_out_of_memory(context->err);
    node->output[i] = *out;
    return TRIB_OK;
}

/* CASE WHEN single_row(rows) THEN value END */
static Status checked(Lifting *self, ColumnId rows, Expr *value, Expr **out) {
    RuleContext *context = self->context;
    ResolvedFunction f = {.function = &function_single_row, .result = TYPE(BOOLEAN)};
    Value null = {.type = value->type, .is_null = true};
    Expr *args[3], *count;
    TRY_ALLOC(count, rule_column(context, rows), context->err);
    TRY_ALLOC(args[0], expr_call(context->arena, &f, 1, &count), context->err);
    args[0]->line = self->line;
    args[0]->column = self->column;
    args[1] = value;
    TRY_ALLOC(args[2], expr_constant(context->arena, null), context->err);
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_CASE, value->type, 3, args), context->err);
    return TRIB_OK;
}

Status lift_single_row(Lifting *self, uint32_t noutput, const ColumnId *output, Lifted *lifted) {
    RuleContext *context = self->context;
    ExprList none = {0};
    uint32_t count;
    ColumnId *needed, rows;
    Expr **map;
    LogicalNode *node;
    if (lifted->fills) return TRIB_OK;
    if (!lift_all_rise(self, &lifted->conditions))
        TRY(lift_bind(self, noutput, output, NULL, lifted));
    TRY(lift_needed(self, &none, noutput, output, &count, &needed));
    TRY_ALLOC(map, ARENA_ARRAY(context->arena, Expr *, context->columns->count + 1), context->err);
    TRY_ALLOC(node, logical_new(context->arena, LOGICAL_AGGREGATE, count + 1, 1), context->err);
    TRY_ALLOC(node->aggregates, ARENA_ARRAY(context->arena, Expr *, count + 1), context->err);
    node->children[0] = lifted->node;
    TRY(add_aggregate(self, node, "count", NULL, &rows));
    for (uint32_t i = 0; i < count; i++) {
        Expr *column;
        ColumnId id;
        TRY_ALLOC(column, rule_column(context, needed[i]), context->err);
        TRY(add_aggregate(self, node, "any_value", column, &id));
        TRY_ALLOC(map[needed[i]], rule_column(context, id), context->err);
    }
    TRY(group_by_keys(self, node, 0, NULL, NULL, lifted));
    for (uint32_t i = 0; i < noutput; i++) {
        Expr *value;
        TRY(lifted_column(self, output[i], &value));
        TRY(rule_substitute(context, value, map, &value));
        TRY(checked(self, rows, value, &value));
        TRY(lift_compute(self, output[i], value));
    }
    lifted->node = node;
    lifted->fills = true;
    lifted->correlated = true;
    return TRIB_OK;
}

Status lift_single_row_node(Lifting *self, LogicalNode *node, Lifted *out) {
    const LogicalNode *below = node->children[0];
    TRY(lift(self, node->children[0], out));
    if (!out->correlated) {
        out->node = node;
        return TRIB_OK;
    }
    return lift_single_row(self, below->noutput, below->output, out);
}

/* ---------------------------------------------------------------- unions, INTERSECT, EXCEPT */

static bool same_keys(const Lifting *self, uint32_t count, const Lifted *children) {
    for (uint32_t c = 0; c < count; c++) {
        if (children[c].fills || children[c].conditions.count != children[0].conditions.count)
            return false;
        for (uint32_t i = 0; i < children[c].conditions.count; i++) {
            LiftKey first, key;
            if (!lift_key(self, children[0].conditions.items[i], &first) ||
                !lift_key(self, children[c].conditions.items[i], &key) ||
                first.null_safe != key.null_safe || !expr_equal(first.outer, key.outer) ||
                !type_equal(first.inner->type, key.inner->type))
                return false;
        }
    }
    return true;
}

static bool any_computed(const Lifting *self, const LogicalNode *node) {
    for (uint32_t i = 0; i < node->noutput; i++) {
        ColumnId id = node->output[i];
        if (id < self->computed_count && self->computed[id]) return true;
    }
    return false;
}

/* All children get the same keys: their own, or the domain's. */
static Status align_children(Lifting *self, const LogicalNode *node, Lifted *children) {
    RuleContext *context = self->context;
    ExprList more = {0};
    bool same = same_keys(self, node->nchildren, children);
    for (uint32_t c = 0; c < node->nchildren; c++)
        same = same && !any_computed(self, node->children[c]);
    if (same) return TRIB_OK;
    for (uint32_t c = 0; c < node->nchildren; c++) {
        const LogicalNode *child = node->children[c];
        for (uint32_t i = 0; i < children[c].conditions.count; i++)
            TRY(rule_list_add(context, &more, children[c].conditions.items[i]));
        for (uint32_t i = 0; i < child->noutput; i++) {
            Expr *e;
            TRY(lifted_column(self, child->output[i], &e));
            TRY(rule_list_add(context, &more, e));
        }
    }
    for (uint32_t c = 0; c < node->nchildren; c++) {
        const LogicalNode *child = node->children[c];
        TRY(lift_bind(self, child->noutput, child->output, &more, &children[c]));
    }
    return TRIB_OK;
}

Status lift_union(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    Lifted *children;
    LogicalNode *copy;
    uint32_t n = node->noutput, nkeys = 0;
    bool correlated = false;
    TRY_ALLOC(children, ARENA_ARRAY(context->arena, Lifted, node->nchildren), context->err);
    for (uint32_t c = 0; c < node->nchildren; c++) {
        TRY(lift(self, node->children[c], &children[c]));
        correlated = correlated || children[c].correlated;
    }
    *out = (Lifted){.node = node, .correlated = correlated};
    if (!correlated) return TRIB_OK;
    TRY(align_children(self, node, children));
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY_ALLOC(copy->inputs, ARENA_ARRAY(context->arena, ColumnId *, node->nchildren), context->err);
    for (uint32_t c = 0; c < node->nchildren; c++) {
        ColumnId *keys;
        TRY(lift_key_columns(self, &children[c], &nkeys, &keys));
        TRY_ALLOC(copy->inputs[c], ARENA_ARRAY(context->arena, ColumnId, n + nkeys), context->err);
        if (n) memcpy(copy->inputs[c], node->inputs[c], n * sizeof *keys);
        if (nkeys) memcpy(copy->inputs[c] + n, keys, nkeys * sizeof *keys);
        copy->children[c] = children[c].node;
    }
    TRY_ALLOC(copy->output, ARENA_ARRAY(context->arena, ColumnId, n + nkeys), context->err);
    if (n) memcpy(copy->output, node->output, n * sizeof *copy->output);
    for (uint32_t k = 0; k < nkeys; k++) {
        LiftKey key;
        Expr *column, *e;
        lift_key(self, children[0].conditions.items[k], &key);
        copy->output[n + k] = plan_column_new(context->columns, STR("key"), key.inner->type, true);
        if (!copy->output[n + k]) return error_out_of_memory(context->err);
        TRY_ALLOC(column, rule_column(context, copy->output[n + k]), context->err);
        TRY(lift_key_over(self, &key, column, &e));
        TRY(rule_list_add(context, &out->conditions, e));
    }
    copy->noutput = n + nkeys;
    out->node = copy;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- VALUES */

static Status no_columns(RuleContext *context, LogicalNode **out) {
    TRY_ALLOC(*out, logical_new(context->arena, LOGICAL_VALUES, 0, 0), context->err);
    TRY_ALLOC((*out)->value_rows, ARENA_ARRAY(context->arena, Expr **, 1), context->err);
    TRY_ALLOC((*out)->value_rows[0], ARENA_ARRAY(context->arena, Expr *, 0), context->err);
    (*out)->nrows = 1;
    return TRIB_OK;
}

/* One row: its columns are computed above. More: each row of the domain as often, with their values. */
Status lift_values(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    ExprList more = {0};
    bool own = false;
    for (uint32_t r = 0; r < node->nrows; r++) {
        for (uint32_t i = 0; i < node->noutput; i++) {
            own = own || lift_uses_outer(self, node->value_rows[r][i]);
            TRY(rule_list_add(context, &more, node->value_rows[r][i]));
        }
    }
    if (!own) return TRIB_OK;
    TRY(no_columns(context, &out->node));
    out->correlated = true;
    if (node->nrows == 1) {
        for (uint32_t i = 0; i < node->noutput; i++)
            TRY(lift_compute(self, node->output[i], node->value_rows[0][i]));
        return TRIB_OK;
    }
    TRY(lift_bind(self, 0, NULL, &more, out));
    uint32_t n = node->noutput, keys = out->node->noutput;
    LogicalNode *expand;
    TRY_ALLOC(expand, logical_new(context->arena, LOGICAL_EXPAND, n + keys, 1), context->err);
    TRY_ALLOC(expand->sets, ARENA_ARRAY(context->arena, Expr **, node->nrows), context->err);
    expand->children[0] = out->node;
    expand->nsets = node->nrows;
    for (uint32_t i = 0; i < n; i++) expand->output[i] = node->output[i];
    for (uint32_t k = 0; k < keys; k++) expand->output[n + k] = out->node->output[k];
    for (uint32_t r = 0; r < node->nrows; r++) {
        TRY_ALLOC(expand->sets[r], ARENA_ARRAY(context->arena, Expr *, n + keys), context->err);
        for (uint32_t i = 0; i < n; i++)
            TRY(lift_replace_equal(self, out, node->value_rows[r][i], &expand->sets[r][i]));
        for (uint32_t k = 0; k < keys; k++)
            TRY_ALLOC(expand->sets[r][n + k], rule_column(context, out->node->output[k]),
                      context->err);
    }
    out->node = expand;
    return TRIB_OK;
}
