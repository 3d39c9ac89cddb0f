/*
 * lift_domain.c - the domain: the distinct values that columns of the outer rows take, joined with a lifted
 * plan so that it needs no outer row any more.
 *
 *     domain   = SELECT DISTINCT c1, c2 ... FROM outer rows
 *     bound    = domain JOIN node ON conditions      (LEFT JOIN where the plan fills)
 *     keys     = outer.ci IS NOT DISTINCT FROM domain.ci
 *
 * The outer rows are planned a second time for it, with columns of their own, without joins that only added
 * columns. Where they take work to compute, both are marked as uses of one query, which share_ctes has
 * computed once. Where they hold volatile functions the two would differ: that is refused. Where they are
 * large and themselves depend on rows further out, the second one leaves those conditions out (more values
 * than needed): else each level of nesting would double the plan.
 */
#include "engine/optimise/lift.h"

#define COLUMNS_MOST \
    200000 /* of a plan: each level of nesting plans the rows of all levels around it again */

/* ---------------------------------------------------------------- which columns */

typedef struct Collecting {
    const Lifting *lifting;
    uint64_t *used;
} Collecting;

static bool collect_outer(void *context, const Expr *e) {
    const Collecting *self = context;
    if (e->kind == EXPR_OUTER && e->as.column_id <= self->lifting->outer_count &&
        bitmap_get(self->lifting->outer, e->as.column_id))
        bitmap_set(self->used, e->as.column_id);
    return false;
}

/* The outer columns that are used, ascending. */
static Status used_columns(Lifting *self, uint32_t noutput, const ColumnId *output,
                           const ExprList *more, const ExprList *conditions, uint32_t *count,
                           ColumnId **ids) {
    RuleContext *context = self->context;
    Collecting collecting = {self, NULL};
    TRY(rule_columns_new(context, &collecting.used));
    for (uint32_t i = 0; i < conditions->count; i++)
        expr_any(conditions->items[i], collect_outer, &collecting);
    for (uint32_t i = 0; more && i < more->count; i++)
        expr_any(more->items[i], collect_outer, &collecting);
    for (uint32_t i = 0; i < noutput; i++) {
        Expr *e;
        TRY(lifted_column(self, output[i], &e));
        expr_any(e, collect_outer, &collecting);
    }
    *count = bitmap_count(collecting.used, self->outer_count + 1);
    TRY_ALLOC(*ids, ARENA_ARRAY(context->arena, ColumnId, *count), context->err);
    uint32_t n = 0;
    for (ColumnId id = 1; id <= self->outer_count; id++) {
        if (bitmap_get(collecting.used, id)) (*ids)[n++] = id;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the outer rows again */

static bool has_all(const LogicalNode *node, uint32_t count, const ColumnId *ids) {
    for (uint32_t i = 0; i < count; i++) {
        if (!logical_has_output(node, ids[i])) return false;
    }
    return true;
}

static Expr *projected(const LogicalNode *node, ColumnId id) {
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (node->output[i] == id) return node->exprs[i];
    }
    return NULL;
}

/* The column that a projection passes on as `id`, for each of the ids; false if one is computed. */
static bool pass_projection(const LogicalNode *node, uint32_t count, ColumnId *ids) {
    for (uint32_t i = 0; i < count; i++) {
        const Expr *e = projected(node, ids[i]);
        if (!e || e->kind != EXPR_COLUMN) return false;
    }
    for (uint32_t i = 0; i < count; i++) ids[i] = projected(node, ids[i])->as.column_id;
    return true;
}

/* Goes down while the columns keep the values that they have above. */
static const LogicalNode *narrow(const LogicalNode *node, uint32_t count, ColumnId *ids) {
    for (;;) {
        const LogicalNode *child = node->nchildren ? node->children[0] : NULL;
        bool joined = node->kind == LOGICAL_JOIN &&
                      (node->join == JOIN_LEFT || node->join == JOIN_MARK ||
                       (node->join == JOIN_CROSS && node->children[1]->kind == LOGICAL_SINGLE_ROW));
        if ((joined || node->kind == LOGICAL_SORT) && has_all(child, count, ids)) {
            node = child;
        } else if (node->kind == LOGICAL_PROJECT && pass_projection(node, count, ids)) {
            node = child;
        } else {
            return node;
        }
    }
}

static bool takes_work(const LogicalNode *node) {
    switch (node->kind) {
    case LOGICAL_JOIN:
    case LOGICAL_AGGREGATE:
    case LOGICAL_WINDOW:
    case LOGICAL_SETOP:
    case LOGICAL_CTE:
    case LOGICAL_RECURSIVE: return true;
    default: break;
    }
    for (uint32_t i = 0; i < node->nchildren; i++) {
        if (takes_work(node->children[i])) return true;
    }
    return false;
}

/* The outer rows with a mark at the node that is planned twice. */
static Status mark_shared(Lifting *self, const LogicalNode *node, const LogicalNode *target,
                          LogicalNode **out) {
    RuleContext *context = self->context;
    LogicalNode *copy;
    if (node != target) {
        TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
        *out = copy;
        return mark_shared(self, node->children[0], target, &copy->children[0]);
    }
    TRY_ALLOC(copy, logical_new(context->arena, LOGICAL_CTE, node->noutput, 1), context->err);
    if (node->noutput) memcpy(copy->output, node->output, node->noutput * sizeof *copy->output);
    copy->children[0] = (LogicalNode *)node;
    copy->cte = copy;
    *out = copy;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows further out */

#define NODES_MOST \
    48 /* of outer rows that depend on rows further out and are planned twice as they are */

typedef struct Extent {
    uint32_t nodes;
    bool outer; /* something depends on rows further out */
} Extent;

static bool is_further_out(void *context, const Expr *e) {
    (void)context;
    return e->kind == EXPR_OUTER;
}

static Status note_outer(void *context, Expr *e, Expr **out) {
    Extent *self = context;
    self->outer = self->outer || expr_any(e, is_further_out, NULL);
    *out = e;
    return TRIB_OK;
}

static Status measure(RuleContext *context, LogicalNode *node, Extent *out) {
    LogicalNode *same;
    out->nodes++;
    TRY(logical_map_exprs(context->arena, node, note_outer, out, &same, context->err));
    for (uint32_t i = 0; i < node->nchildren; i++) TRY(measure(context, node->children[i], out));
    return TRIB_OK;
}

/* The rows without what keeps some of them for the sake of rows further out. */
static Status widen(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    Extent extent = {0};
    LogicalNode *copy;
    ExprList kept = {0};
    *out = node;
    TRY(measure(context, node, &extent));
    if (!extent.outer) return TRIB_OK;
    bool half = node->kind == LOGICAL_JOIN && (node->join == JOIN_SEMI || node->join == JOIN_ANTI ||
                                               node->join == JOIN_ANTI_NULLS);
    if (half) return widen(context, node->children[0], out);
    bool plain = node->kind == LOGICAL_PROJECT || node->kind == LOGICAL_FILTER;
    bool inner =
        node->kind == LOGICAL_JOIN && (node->join == JOIN_INNER || node->join == JOIN_CROSS);
    bool left = node->kind == LOGICAL_JOIN && (node->join == JOIN_LEFT || node->join == JOIN_MARK);
    if (!plain && !inner && !left) return TRIB_OK;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    for (uint32_t i = 0; i < (inner ? 2u : 1u); i++)
        TRY(widen(context, node->children[i], &copy->children[i]));
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e = node->conjuncts[i];
        bool goes = !left && (e->may_raise || expr_any(e, is_further_out, NULL));
        if (!goes) TRY(rule_list_add(context, &kept, e));
    }
    copy->conjuncts = kept.items;
    copy->nconjuncts = kept.count;
    if (inner) copy->join = kept.count ? JOIN_INNER : JOIN_CROSS;
    *out = copy;
    if (node->kind == LOGICAL_FILTER && kept.count == 0) *out = copy->children[0];
    return TRIB_OK;
}

/* The rows that are planned a second time. */
static Status second_source(Lifting *self, LogicalNode **source) {
    Extent extent = {0};
    TRY(measure(self->context, *source, &extent));
    if (!extent.outer || extent.nodes <= NODES_MOST) return TRIB_OK;
    return widen(self->context, *source, source);
}

static Status find_volatile(void *context, Expr *e, Expr **out) {
    bool *found = context;
    *found |= e->is_volatile;
    *out = e;
    return TRIB_OK;
}

static Status is_repeatable(Lifting *self, LogicalNode *node, bool *out) {
    bool found = node->kind == LOGICAL_SAMPLE;
    LogicalNode *same;
    TRY(logical_map_exprs(self->context->arena, node, find_volatile, &found, &same,
                          self->context->err));
    *out = !found;
    for (uint32_t i = 0; i < node->nchildren && *out; i++)
        TRY(is_repeatable(self, node->children[i], out));
    return TRIB_OK;
}

/* SELECT DISTINCT ids FROM outer rows; domain[i] is the new column of ids[i]. */
static Status domain_new(Lifting *self, uint32_t count, const ColumnId *ids, ColumnId *domain,
                         LogicalNode **out) {
    RuleContext *context = self->context;
    ColumnId *from, *map;
    LogicalNode *copy, *group;
    TRY_ALLOC(from, ARENA_ARRAY(context->arena, ColumnId, count), context->err);
    if (count) memcpy(from, ids, count * sizeof *from);
    const LogicalNode *source = narrow(self->input, count, from);
    bool repeatable;
    TRY(is_repeatable(self, (LogicalNode *)source, &repeatable));
    if (!repeatable) {
        error_set(context->err, ERR_UNSUPPORTED,
                  "a sub-query uses columns of rows that random functions or samples make");
        return error_hint(context->err, "Store those rows in a table first.");
    }
    if (source->kind != LOGICAL_CTE && takes_work(source)) {
        LogicalNode *input;
        TRY(mark_shared(self, self->input, source, &input));
        self->input = input;
        if (count) memcpy(from, ids, count * sizeof *from);
        source = narrow(input, count, from);
    }
    LogicalNode *second = (LogicalNode *)source;
    TRY(second_source(self, &second));
    if (second != source) source = narrow(second, count, from);
    TRY(logical_clone(context->arena, context->columns, source, &map, &copy, context->err));
    TRY_ALLOC(group, logical_new(context->arena, LOGICAL_AGGREGATE, count, 1), context->err);
    TRY_ALLOC(group->groups, ARENA_ARRAY(context->arena, Expr *, count), context->err);
    group->ngroups = count;
    group->children[0] = copy;
    for (uint32_t i = 0; i < count; i++) {
        const PlanColumn column = *plan_column(context->columns, ids[i]);
        if (!type_comparable(column.type)) {
            return error_set(context->err, ERR_UNSUPPORTED,
                             "a sub-query uses the column '" STR_FORMAT
                             "' of an enclosing query, whose type %s does not compare",
                             STR_ARGS(column.name), type_id_name((TypeId)column.type.id));
        }
        domain[i] = plan_column_new(context->columns, column.name, column.type, column.nullable);
        if (!domain[i]) return error_out_of_memory(context->err);
        group->output[i] = domain[i];
        TRY_ALLOC(group->groups[i], rule_column(context, map[from[i]]), context->err);
    }
    *out = group;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the join */

typedef struct Binding {
    uint32_t count;
    const ColumnId *ids;
    const ColumnId *domain;
    RuleContext *context;
    bool exhausted;
} Binding;

static Expr *bind_outer(void *context, const Expr *e) {
    Binding *self = context;
    if (e->kind != EXPR_OUTER) return NULL;
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->ids[i] != e->as.column_id) continue;
        Expr *column = rule_column(self->context, self->domain[i]);
        self->exhausted |= !column;
        return column;
    }
    return NULL;
}

static Status bind_expr(Binding *self, const Expr *e, Expr **out) {
    TRY(expr_rewrite(self->context->arena, e, bind_outer, self, out, self->context->err));
    return self->exhausted ? error_out_of_memory(self->context->err) : TRIB_OK;
}

static Status join_domain(Binding *self, LogicalNode *domain, const Lifted *lifted,
                          LogicalNode **out) {
    RuleContext *context = self->context;
    uint32_t n = domain->noutput, m = lifted->node->noutput;
    LogicalNode *join;
    ExprList conditions = {0};
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, n + m, 2), context->err);
    if (n) memcpy(join->output, domain->output, n * sizeof *join->output);
    if (m) memcpy(join->output + n, lifted->node->output, m * sizeof *join->output);
    join->children[0] = domain;
    join->children[1] = lifted->node;
    for (uint32_t i = 0; i < lifted->conditions.count; i++) {
        Expr *e;
        TRY(bind_expr(self, lifted->conditions.items[i], &e));
        TRY(rule_list_add(context, &conditions, e));
    }
    join->join = lifted->fills ? JOIN_LEFT : conditions.count ? JOIN_INNER : JOIN_CROSS;
    join->conjuncts = conditions.items;
    join->nconjuncts = conditions.count;
    for (uint32_t i = 0; lifted->fills && i < m; i++)
        context->columns->columns[lifted->node->output[i]].nullable = true;
    *out = join;
    return TRIB_OK;
}

/* The output's columns, computed ones too, and the domain's. */
static Status project_bound(Lifting *self, Binding *binding, uint32_t noutput,
                            const ColumnId *output, LogicalNode *join, LogicalNode **out) {
    RuleContext *context = self->context;
    uint32_t n = noutput + binding->count;
    LogicalNode *project;
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, n, 1), context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    project->children[0] = join;
    for (uint32_t i = 0; i < noutput; i++) {
        Expr *e;
        project->output[i] = output[i];
        TRY(lifted_column(self, output[i], &e));
        TRY(bind_expr(binding, e, &project->exprs[i]));
    }
    for (uint32_t i = 0; i < binding->count; i++) {
        project->output[noutput + i] = binding->domain[i];
        TRY_ALLOC(project->exprs[noutput + i], rule_column(context, binding->domain[i]),
                  context->err);
    }
    *out = project;
    return TRIB_OK;
}

Status lift_bind(Lifting *self, uint32_t noutput, const ColumnId *output, const ExprList *more,
                 Lifted *lifted) {
    RuleContext *context = self->context;
    if (context->columns->count > COLUMNS_MOST) {
        error_set(context->err, ERR_LIMIT,
                  "sub-queries that use columns of enclosing queries by other conditions than "
                  "equalities are nested too deeply");
        return error_hint(context->err, "Write some of them as joins.");
    }
    Binding binding = {.context = context};
    ColumnId *ids, *domain_ids;
    LogicalNode *domain, *join;
    TRY(used_columns(self, noutput, output, more, &lifted->conditions, &binding.count, &ids));
    TRY_ALLOC(domain_ids, ARENA_ARRAY(context->arena, ColumnId, binding.count), context->err);
    TRY(domain_new(self, binding.count, ids, domain_ids, &domain));
    binding.ids = ids;
    binding.domain = domain_ids;
    TRY(join_domain(&binding, domain, lifted, &join));
    TRY(project_bound(self, &binding, noutput, output, join, &lifted->node));
    for (uint32_t i = 0; i < noutput; i++) TRY(lift_compute(self, output[i], NULL));
    lifted->conditions = (ExprList){0};
    lifted->fills = false;
    lifted->correlated = true;
    for (uint32_t i = 0; i < binding.count; i++) {
        LiftKey key = {.null_safe = true};
        Expr *e;
        Type type = plan_column(context->columns, ids[i])->type;
        TRY_ALLOC(key.outer, expr_outer(context->arena, ids[i], type), context->err);
        TRY_ALLOC(key.inner, rule_column(context, domain_ids[i]), context->err);
        TRY(lift_key_over(self, &key, key.inner, &e));
        TRY(rule_list_add(context, &lifted->conditions, e));
    }
    return TRIB_OK;
}
