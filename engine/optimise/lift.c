/*
 * lift.c - lifting conditions on the outer rows: filters, projections, keys. See lift.h.
 */
#include "engine/optimise/lift.h"

#define MAX_COMPUTED \
    1000 /* nodes of a computed expression; larger ones are computed below the join */

Status lifting_init(RuleContext *context, LogicalNode *input, Lifting *out) {
    *out = (Lifting){.context = context, .input = input, .outer_count = context->columns->count};
    TRY(rule_columns_new(context, &out->outer));
    for (uint32_t i = 0; i < input->noutput; i++) bitmap_set(out->outer, input->output[i]);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- expressions */

static bool is_outer(const Lifting *self, const Expr *e) {
    return e->kind == EXPR_OUTER && e->as.column_id <= self->outer_count &&
           bitmap_get(self->outer, e->as.column_id);
}

static Expr *computed(const Lifting *self, ColumnId id) {
    return id < self->computed_count ? self->computed[id] : NULL;
}

static bool test_outer(void *context, const Expr *e) {
    return is_outer(context, e);
}

bool lift_uses_outer(const Lifting *self, const Expr *e) {
    return expr_any(e, test_outer, (void *)self);
}

static bool test_correlated(void *context, const Expr *e) {
    const Lifting *self = context;
    return is_outer(self, e) || (e->kind == EXPR_COLUMN && computed(self, e->as.column_id));
}

bool lift_is_correlated(const Lifting *self, const Expr *e) {
    return expr_any(e, test_correlated, (void *)self);
}

Status lift_compute(Lifting *self, ColumnId id, Expr *e) {
    if (id >= self->computed_count) {
        uint32_t count = self->context->columns->count + 64;
        Expr **copy;
        TRY_ALLOC(copy, ARENA_ARRAY(self->context->arena, Expr *, count), self->context->err);
        if (self->computed_count) memcpy(copy, self->computed, self->computed_count * sizeof *copy);
        self->computed = copy;
        self->computed_count = count;
    }
    self->computed[id] = e;
    return TRIB_OK;
}

static Expr *replace_computed(void *context, const Expr *e) {
    return e->kind == EXPR_COLUMN ? computed(context, e->as.column_id) : NULL;
}

Status lift_expr(Lifting *self, const Expr *e, Expr **out) {
    *out = (Expr *)e;
    if (self->computed_count == 0 || !lift_is_correlated(self, e)) return TRIB_OK;
    return expr_rewrite(self->context->arena, e, replace_computed, self, out, self->context->err);
}

Status lifted_column(Lifting *self, ColumnId id, Expr **out) {
    *out = computed(self, id);
    if (!*out) TRY_ALLOC(*out, rule_column(self->context, id), self->context->err);
    return TRIB_OK;
}

typedef struct Settling {
    Lifting *lifting;
    bool exhausted;
} Settling;

static Expr *settle_column(void *context, const Expr *e) {
    Settling *self = context;
    if (!is_outer(self->lifting, e)) return NULL;
    Expr *column = rule_column(self->lifting->context, e->as.column_id);
    self->exhausted |= !column;
    return column;
}

Status lift_settle(Lifting *self, const Expr *e, Expr **out) {
    Settling settling = {self, false};
    TRY(expr_rewrite(self->context->arena, e, settle_column, &settling, out, self->context->err));
    return settling.exhausted ? error_out_of_memory(self->context->err) : TRIB_OK;
}

Status lift_settle_list(Lifting *self, const ExprList *list, ExprList *out) {
    for (uint32_t i = 0; i < list->count; i++) {
        Expr *e;
        TRY(lift_settle(self, list->items[i], &e));
        TRY(rule_list_add(self->context, out, e));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- keys */

static bool test_column(void *context, const Expr *e) {
    (void)context;
    return e->kind == EXPR_COLUMN;
}

static bool uses_columns(const Expr *e) {
    return expr_any(e, test_column, NULL);
}

bool lift_key(const Lifting *self, const Expr *condition, LiftKey *out) {
    const Expr *call = condition;
    bool distinct = call->kind == EXPR_NOT && call->args[0]->kind == EXPR_CALL &&
                    call->args[0]->as.function->id == TRIB_FN_is_distinct_from;
    if (distinct) call = call->args[0];
    if (call->kind != EXPR_CALL || (!distinct && call->as.function->id != TRIB_FN_eq)) return false;
    if (call->may_raise || call->is_volatile) return false;
    for (uint32_t i = 0; i < 2; i++) {
        Expr *outer = call->args[i], *inner = call->args[1 - i];
        if (!lift_uses_outer(self, outer) || uses_columns(outer)) continue;
        if (lift_uses_outer(self, inner) || !uses_columns(inner)) continue;
        *out = (LiftKey){outer, inner, distinct};
        return true;
    }
    return false;
}

Status lift_key_over(Lifting *self, const LiftKey *key, Expr *inner, Expr **out) {
    RuleContext *context = self->context;
    Expr *args[2] = {key->outer, inner}, *call;
    Type types[2] = {key->outer->type, inner->type};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, key->null_safe ? TRIB_FN_is_distinct_from : TRIB_FN_eq,
                            2, types, &f, context->err));
    for (uint32_t i = 0; i < 2; i++)
        TRY_ALLOC(args[i], expr_cast(context->arena, args[i], f.args[i], false), context->err);
    TRY_ALLOC(call, expr_call(context->arena, &f, 2, args), context->err);
    *out = call;
    if (key->null_safe)
        TRY_ALLOC(*out, expr_boolean(context->arena, EXPR_NOT, 1, &call), context->err);
    return TRIB_OK;
}

bool lift_rises(const Lifting *self, const Expr *condition) {
    LiftKey key;
    return !uses_columns(condition) || lift_key(self, condition, &key);
}

bool lift_all_rise(const Lifting *self, const ExprList *conditions) {
    for (uint32_t i = 0; i < conditions->count; i++) {
        if (!lift_rises(self, conditions->items[i])) return false;
    }
    return true;
}

Status lift_meet(Lifting *self, const ExprList *keys, const Expr *condition, ExprList *conditions,
                 bool *met) {
    LiftKey key, other;
    *met = false;
    if (!lift_key(self, condition, &key)) return TRIB_OK;
    for (uint32_t i = 0; i < keys->count && !*met; i++) {
        if (!lift_key(self, keys->items[i], &other)) continue;
        if (!expr_equal(other.outer, key.outer)) continue;
        LiftKey between = {other.inner, NULL, other.null_safe && key.null_safe};
        Expr *e;
        TRY(lift_key_over(self, &between, key.inner, &e));
        TRY(rule_list_add(self->context, conditions, e));
        *met = true;
    }
    return TRIB_OK;
}

/* Types whose equal values are the same value: one may stand for the other. */
static bool same_when_equal(Type type) {
    switch ((TypeId)type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DECIMAL:
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIMESTAMP: return true;
    default: return false;
    }
}

typedef struct Replacing {
    const Lifting *lifting;
    const Lifted *lifted;
} Replacing;

static Expr *replace_equal(void *context, const Expr *e) {
    const Replacing *self = context;
    if (!is_outer(self->lifting, e)) return NULL;
    for (uint32_t i = 0; i < self->lifted->conditions.count; i++) {
        LiftKey key;
        if (!lift_key(self->lifting, self->lifted->conditions.items[i], &key)) continue;
        if (key.outer->kind != EXPR_OUTER || key.outer->as.column_id != e->as.column_id) continue;
        bool same = key.null_safe || same_when_equal(e->type);
        if (same && type_equal(key.inner->type, e->type) && !key.inner->is_volatile)
            return key.inner;
    }
    return NULL;
}

Status lift_replace_equal(Lifting *self, const Lifted *lifted, const Expr *e, Expr **out) {
    Replacing replacing = {self, lifted};
    *out = (Expr *)e;
    if (!lift_uses_outer(self, e)) return TRIB_OK;
    return expr_rewrite(self->context->arena, e, replace_equal, &replacing, out,
                        self->context->err);
}

/* ---------------------------------------------------------------- needed columns */

Status lift_needed(Lifting *self, const ExprList *conditions, uint32_t noutput,
                   const ColumnId *output, uint32_t *count, ColumnId **ids) {
    RuleContext *context = self->context;
    uint64_t *used;
    uint32_t n = 0;
    TRY(rule_columns_new(context, &used));
    for (uint32_t i = 0; i < conditions->count; i++) expr_columns(conditions->items[i], used);
    for (uint32_t i = 0; i < noutput; i++) {
        const Expr *e = computed(self, output[i]);
        if (e) expr_columns(e, used);
        if (!e) bitmap_set(used, output[i]);
    }
    TRY_ALLOC(
        *ids,
        ARENA_ARRAY(context->arena, ColumnId, bitmap_count(used, context->columns->count + 1)),
        context->err);
    for (uint32_t i = 0; i < noutput; i++) { /* in the order of output first */
        if (!bitmap_get(used, output[i])) continue;
        bitmap_unset(used, output[i]);
        (*ids)[n++] = output[i];
    }
    for (ColumnId id = 1; id <= context->columns->count; id++) {
        if (bitmap_get(used, id)) (*ids)[n++] = id;
    }
    *count = n;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- filters and projections */

/* Keys first: what they make equal to a column need not rise. */
static Status split_conjuncts(Lifting *self, const LogicalNode *node, bool risen, Lifted *out,
                              ExprList *plain) {
    RuleContext *context = self->context;
    ExprList rest = {0};
    LiftKey key;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_expr(self, node->conjuncts[i], &e));
        bool is_key = lift_key(self, e, &key), met;
        TRY(lift_meet(self, &out->conditions, e, plain, &met));
        if (!met) TRY(rule_list_add(context, is_key ? &out->conditions : &rest, e));
    }
    for (uint32_t i = 0; i < rest.count; i++) {
        Expr *e;
        TRY(lift_replace_equal(self, out, rest.items[i], &e));
        bool rises = lift_uses_outer(self, e) || (risen && e->may_raise);
        TRY(rule_list_add(context, rises ? &out->conditions : plain, e));
    }
    return TRIB_OK;
}

static Status lift_filter(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    ExprList plain = {0};
    const LogicalNode *below = node->children[0];
    TRY(lift(self, node->children[0], out));
    bool own = false;
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        own = own || lift_is_correlated(self, node->conjuncts[i]);
    if (!out->correlated && !own) {
        out->node = node;
        return TRIB_OK;
    }
    if (out->fills) {
        ExprList more = {node->nconjuncts, node->nconjuncts, node->conjuncts};
        TRY(lift_bind(self, below->noutput, below->output, &more, out));
    }
    out->correlated = true;
    TRY(split_conjuncts(self, node, own || out->conditions.count > 0, out, &plain));
    return rule_filter(context, out->node, &plain, &out->node);
}

/* May the projection's expression be computed below the join with the outer rows? */
static bool stays_below(const Lifting *self, const Lifted *child, const Expr *e) {
    if (lift_uses_outer(self, e)) return false;
    if (e->kind == EXPR_COLUMN) return true;
    return !child->fills && !(e->may_raise && child->conditions.count > 0);
}

static Status project_lifted(Lifting *self, const LogicalNode *node, Expr *const *exprs,
                             Lifted *out) {
    RuleContext *context = self->context;
    uint32_t count;
    ColumnId *ids;
    LogicalNode *project;
    for (uint32_t i = 0; i < node->noutput; i++) {
        bool below = stays_below(self, out, exprs[i]);
        TRY(lift_compute(self, node->output[i], below ? NULL : exprs[i]));
    }
    TRY(lift_needed(self, &out->conditions, node->noutput, node->output, &count, &ids));
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, count, 1), context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, count), context->err);
    project->children[0] = out->node;
    for (uint32_t i = 0; i < count; i++) {
        project->output[i] = ids[i];
        for (uint32_t k = 0; k < node->noutput; k++) {
            if (node->output[k] == ids[i] && !computed(self, ids[i])) project->exprs[i] = exprs[k];
        }
        if (!project->exprs[i])
            TRY_ALLOC(project->exprs[i], rule_column(context, ids[i]), context->err);
    }
    out->node = project;
    return TRIB_OK;
}

static Status lift_project(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    Expr **exprs;
    const LogicalNode *below = node->children[0];
    TRY(lift(self, node->children[0], out));
    bool own = false, large = false;
    for (uint32_t i = 0; i < node->noutput; i++)
        own = own || lift_is_correlated(self, node->exprs[i]);
    if (!out->correlated && !own) {
        out->node = node;
        return TRIB_OK;
    }
    out->correlated = true;
    TRY_ALLOC(exprs, ARENA_ARRAY(context->arena, Expr *, node->noutput), context->err);
    for (uint32_t i = 0; i < node->noutput; i++) {
        TRY(lift_expr(self, node->exprs[i], &exprs[i]));
        large = large || (!stays_below(self, out, exprs[i]) &&
                          (exprs[i]->size > MAX_COMPUTED || exprs[i]->is_volatile));
    }
    if (large) {
        ExprList more = {node->noutput, node->noutput, node->exprs};
        TRY(lift_bind(self, below->noutput, below->output, &more, out));
        for (uint32_t i = 0; i < node->noutput; i++)
            TRY(lift_replace_equal(self, out, node->exprs[i], &exprs[i]));
    }
    return project_lifted(self, node, exprs, out);
}

/* ---------------------------------------------------------------- all nodes */

static Status lift_sort(Lifting *self, LogicalNode *node, Lifted *out) {
    TRY(lift(self, node->children[0], out));
    if (!out->correlated) out->node = node; /* else: the order of a part of a join means nothing */
    return TRIB_OK;
}

/* What uses the outer rows is another query for each place: it is not shared with others of the name. */
static Status lift_cte(Lifting *self, LogicalNode *node, Lifted *out) {
    if (node->nchildren == 0) return TRIB_OK; /* depends on nothing */
    TRY(lift(self, node->children[0], out));
    if (!out->correlated) out->node = node;
    return TRIB_OK;
}

/* The expressions with outer columns replaced by equal ones of the child; *open: some are left. */
static Status replace_exprs(Lifting *self, const Lifted *child, uint32_t count, Expr *const *exprs,
                            Expr ***out, bool *open) {
    TRY_ALLOC(*out, ARENA_ARRAY(self->context->arena, Expr *, count), self->context->err);
    for (uint32_t i = 0; i < count; i++) {
        Expr *e;
        TRY(lift_expr(self, exprs[i], &e));
        TRY(lift_replace_equal(self, child, e, &(*out)[i]));
        *open = *open || lift_uses_outer(self, (*out)[i]) ||
                ((*out)[i]->may_raise && child->conditions.count > 0);
    }
    return TRIB_OK;
}

/* Each row several times: what the conditions need passes through beside the expressions. */
static Status lift_expand(Lifting *self, LogicalNode *node, Lifted *out) {
    RuleContext *context = self->context;
    const LogicalNode *below = node->children[0];
    LogicalNode *copy;
    ExprList more = {0};
    bool own = false, open;
    TRY(lift(self, node->children[0], out));
    for (uint32_t s = 0; s < node->nsets; s++) {
        for (uint32_t i = 0; i < node->noutput; i++) {
            own = own || lift_is_correlated(self, node->sets[s][i]);
            TRY(rule_list_add(context, &more, node->sets[s][i]));
        }
    }
    if (!out->correlated && !own) {
        out->node = node;
        return TRIB_OK;
    }
    open = out->fills;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY_ALLOC(copy->sets, ARENA_ARRAY(context->arena, Expr **, node->nsets), context->err);
    for (uint32_t s = 0; s < node->nsets; s++)
        TRY(replace_exprs(self, out, node->noutput, node->sets[s], &copy->sets[s], &open));
    if (open) TRY(lift_bind(self, below->noutput, below->output, &more, out));
    uint32_t count, n = node->noutput;
    ColumnId *needed;
    TRY(lift_needed(self, &out->conditions, 0, NULL, &count, &needed));
    TRY_ALLOC(copy->output, ARENA_ARRAY(context->arena, ColumnId, n + count), context->err);
    if (n) memcpy(copy->output, node->output, n * sizeof *copy->output);
    if (count) memcpy(copy->output + n, needed, count * sizeof *copy->output);
    copy->noutput = n + count;
    copy->children[0] = out->node;
    for (uint32_t s = 0; s < node->nsets; s++) {
        Expr **row;
        TRY(replace_exprs(self, out, n, node->sets[s], &copy->sets[s], &open));
        TRY_ALLOC(row, ARENA_ARRAY(context->arena, Expr *, n + count), context->err);
        if (n) memcpy(row, copy->sets[s], n * sizeof *row);
        for (uint32_t i = 0; i < count; i++)
            TRY_ALLOC(row[n + i], rule_column(context, needed[i]), context->err);
        copy->sets[s] = row;
    }
    out->node = copy;
    out->correlated = true;
    return TRIB_OK;
}

/* All columns of the child pass through UNNEST. */
static Status unnest_over(Lifting *self, const LogicalNode *node, Expr **unnest, Lifted *out) {
    RuleContext *context = self->context;
    LogicalNode *copy;
    uint32_t kept = out->node->noutput, n = node->noutput - node->nkept;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY_ALLOC(copy->output, ARENA_ARRAY(context->arena, ColumnId, kept + n), context->err);
    if (kept) memcpy(copy->output, out->node->output, kept * sizeof *copy->output);
    if (n) memcpy(copy->output + kept, node->output + node->nkept, n * sizeof *copy->output);
    copy->noutput = kept + n;
    copy->nkept = kept;
    copy->children[0] = out->node;
    copy->unnest = unnest;
    out->node = copy;
    out->correlated = true;
    return TRIB_OK;
}

static Status lift_unnest(Lifting *self, LogicalNode *node, Lifted *out) {
    const LogicalNode *below = node->children[0];
    ExprList more = {node->nunnest, node->nunnest, node->unnest};
    Expr **unnest;
    bool own = false, open;
    TRY(lift(self, node->children[0], out));
    for (uint32_t i = 0; i < node->nunnest; i++)
        own = own || lift_is_correlated(self, node->unnest[i]);
    if (!out->correlated && !own) {
        out->node = node;
        return TRIB_OK;
    }
    open = out->fills;
    TRY(replace_exprs(self, out, node->nunnest, node->unnest, &unnest, &open));
    if (open) {
        TRY(lift_bind(self, below->noutput, below->output, &more, out));
        TRY(replace_exprs(self, out, node->nunnest, node->unnest, &unnest, &open));
    }
    return unnest_over(self, node, unnest, out);
}

Status lift_refuse(Lifting *self, const LogicalNode *node, const char *what) {
    return error_set_at(
        self->context->err, ERR_UNSUPPORTED, node->line, node->column,
        "a sub-query that uses columns of the enclosing query in or below %s is not "
        "supported",
        what);
}

static Status find_outer(void *context, Expr *e, Expr **out) {
    Settling *self = context;
    *out = e;
    if (lift_is_correlated(self->lifting, e)) self->exhausted = true;
    return TRIB_OK;
}

/* Leaves and kinds that nothing rises through. */
static Status lift_other(Lifting *self, LogicalNode *node, Lifted *out) {
    Settling found = {self, false};
    LogicalNode *same;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        Lifted child;
        TRY(lift(self, node->children[i], &child));
        found.exhausted = found.exhausted || child.correlated;
    }
    TRY(logical_map_exprs(self->context->arena, node, find_outer, &found, &same,
                          self->context->err));
    if (found.exhausted) return lift_refuse(self, node, "this operation");
    *out = (Lifted){.node = node};
    return TRIB_OK;
}

Status lift(Lifting *self, LogicalNode *node, Lifted *out) {
    *out = (Lifted){.node = node};
    switch (node->kind) {
    case LOGICAL_SCAN: return TRIB_OK;
    case LOGICAL_FILTER: return lift_filter(self, node, out);
    case LOGICAL_PROJECT: return lift_project(self, node, out);
    case LOGICAL_SORT: return lift_sort(self, node, out);
    case LOGICAL_JOIN: return lift_join(self, node, out);
    case LOGICAL_AGGREGATE: return lift_aggregate(self, node, out);
    case LOGICAL_LIMIT:
    case LOGICAL_TIES: return lift_limit(self, node, out);
    case LOGICAL_WINDOW: return lift_window(self, node, out);
    case LOGICAL_UNION:
    case LOGICAL_SETOP: return lift_union(self, node, out);
    case LOGICAL_CTE: return lift_cte(self, node, out);
    case LOGICAL_EXPAND: return lift_expand(self, node, out);
    case LOGICAL_UNNEST: return lift_unnest(self, node, out);
    case LOGICAL_VALUES: return lift_values(self, node, out);
    case LOGICAL_SINGLE_ROW: return lift_single_row_node(self, node, out);
    default: return lift_other(self, node, out);
    }
}
