/*
 * push_filters.c - conditions move towards the tables; outer joins become inner ones where they may.
 *
 * A set of conjuncts is carried down the tree and settles as low as it can: through projections (by
 * substitution), sorts, unions, grouping (if it speaks of the groups only), windows (if it speaks of what
 * the rows are partitioned by only) and joins. Conjuncts that may
 * raise never go below a join, nor do volatile ones move at all. An outer join whose filled-up side is
 * refused by a conjunct when it is NULL is an inner join (or keeps one side less). A conjunct that is
 * false makes its subtree empty.
 */
#include "engine/optimise/rule.h"

static Status push(RuleContext *context, LogicalNode *node, ExprList *conjuncts, LogicalNode **out);
static Status stop_here(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                        LogicalNode **out);

/* ---------------------------------------------------------------- NULL rejection */

static bool strict(const Expr *e, const LogicalNode *side) {
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN: return logical_has_output(side, e->as.column_id);
    case EXPR_CAST: return strict(e->args[0], side);
    case EXPR_CALL:
        if (e->as.function->nulls != NULLS_PROPAGATE) return false;
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (strict(e->args[i], side)) return true;
        }
        return false;
    default: return false;
    }
}

/* Is the conjunct never true when all columns of `side` are NULL? */
static bool rejects_nulls(const Expr *e, const LogicalNode *side) {
    switch ((ExprKind)e->kind) {
    case EXPR_AND:
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (rejects_nulls(e->args[i], side)) return true;
        }
        return false;
    case EXPR_OR:
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (!rejects_nulls(e->args[i], side)) return false;
        }
        return true;
    case EXPR_NOT: return strict(e->args[0], side);
    case EXPR_IS_NULL: return e->negated && strict(e->args[0], side);
    case EXPR_IN: return strict(e->args[0], side);
    default: return strict(e, side);
    }
}

static bool any_rejects(const ExprList *conjuncts, const LogicalNode *side) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        if (rejects_nulls(conjuncts->items[i], side)) return true;
    }
    return false;
}

static JoinKind simplified_kind(const LogicalNode *join, const ExprList *above) {
    JoinKind kind = join->join;
    bool left = any_rejects(above, join->children[0]),
         right = any_rejects(above, join->children[1]);
    if (kind == JOIN_FULL)
        kind = left && right ? JOIN_INNER : left ? JOIN_LEFT : right ? JOIN_RIGHT : JOIN_FULL;
    if (kind == JOIN_LEFT && right) kind = JOIN_INNER;
    if (kind == JOIN_RIGHT && left) kind = JOIN_INNER;
    return kind;
}

/* ---------------------------------------------------------------- joins */

typedef struct JoinPush {
    ExprList left, right, on, above;
} JoinPush;

/* Where a WHERE conjunct above the join may go. */
static Status place_above(RuleContext *context, const LogicalNode *join, JoinKind kind, Expr *e,
                          JoinPush *lists) {
    bool left, right;
    TRY(rule_uses_only(context, e, join->children[0], &left));
    TRY(rule_uses_only(context, e, join->children[1], &right));
    bool movable = !e->may_raise && !e->is_volatile;
    bool keeps_left =
        kind != JOIN_RIGHT && kind != JOIN_FULL; /* no rows of the left side are filled up */
    bool keeps_right = kind == JOIN_INNER || kind == JOIN_CROSS || kind == JOIN_RIGHT;
    if (movable && left && keeps_left) return rule_list_add(context, &lists->left, e);
    if (movable && right && keeps_right) return rule_list_add(context, &lists->right, e);
    if (movable && (kind == JOIN_INNER || kind == JOIN_CROSS))
        return rule_list_add(context, &lists->on, e);
    return rule_list_add(context, &lists->above, e);
}

/* Where a conjunct of the ON condition may go. */
static Status place_on(RuleContext *context, const LogicalNode *join, JoinKind kind, Expr *e,
                       JoinPush *lists) {
    bool left, right;
    TRY(rule_uses_only(context, e, join->children[0], &left));
    TRY(rule_uses_only(context, e, join->children[1], &right));
    bool movable = !e->may_raise && !e->is_volatile;
    bool inner = kind == JOIN_INNER || kind == JOIN_CROSS;
    bool to_left = inner || kind == JOIN_RIGHT || kind == JOIN_SEMI;
    bool to_right = inner || kind == JOIN_LEFT || kind == JOIN_SEMI || kind == JOIN_ANTI;
    if (movable && left && to_left) return rule_list_add(context, &lists->left, e);
    if (movable && right && to_right) return rule_list_add(context, &lists->right, e);
    return rule_list_add(context, &lists->on, e);
}

static Status push_join(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                        LogicalNode **out) {
    JoinPush lists = {0};
    JoinKind kind = simplified_kind(node, conjuncts);
    for (uint32_t i = 0; i < conjuncts->count; i++)
        TRY(place_above(context, node, kind, conjuncts->items[i], &lists));
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        TRY(place_on(context, node, kind, node->conjuncts[i], &lists));
    LogicalNode *join;
    TRY_ALLOC(join, logical_copy(context->arena, node), context->err);
    join->join = kind == JOIN_CROSS && lists.on.count ? JOIN_INNER : kind;
    join->nconjuncts = lists.on.count;
    join->conjuncts = lists.on.items;
    TRY(push(context, node->children[0], &lists.left, &join->children[0]));
    TRY(push(context, node->children[1], &lists.right, &join->children[1]));
    return rule_filter(context, join, &lists.above, out);
}

/* ---------------------------------------------------------------- other nodes */

/*
 * What columns are to be replaced by, by id. One array serves the whole rule: whoever fills it in takes
 * his columns out again before he goes down, so that many nodes do not cost many arrays.
 */
static Status column_map(RuleContext *context, Expr ***out) {
    if (context->map_count < context->columns->count + 1) {
        context->map_count = context->columns->count + 1;
        TRY_ALLOC(context->map, ARENA_ARRAY(context->arena, Expr *, context->map_count),
                  context->err);
    }
    *out = context->map;
    return TRIB_OK;
}

static void column_map_clear(RuleContext *context, const LogicalNode *node) {
    for (uint32_t i = 0; i < node->noutput; i++) context->map[node->output[i]] = NULL;
}

static Status push_project(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                           LogicalNode **out) {
    ExprList below = {0}, above = {0};
    Expr **map;
    TRY(column_map(context, &map));
    for (uint32_t i = 0; i < node->noutput; i++) map[node->output[i]] = node->exprs[i];
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i], *substituted;
        TRY(rule_substitute(context, e, map, &substituted));
        bool stays = e->is_volatile || substituted->is_volatile;
        TRY(rule_list_add(context, stays ? &above : &below, stays ? e : substituted));
    }
    column_map_clear(context, node);
    LogicalNode *project;
    TRY_ALLOC(project, logical_copy(context->arena, node), context->err);
    TRY(push(context, node->children[0], &below, &project->children[0]));
    return rule_filter(context, project, &above, out);
}

static Status push_aggregate(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                             LogicalNode **out) {
    ExprList below = {0}, above = {0};
    Expr **map;
    TRY(column_map(context, &map));
    uint64_t *groups;
    TRY(rule_columns_new(context, &groups));
    for (uint32_t g = 0; g < node->ngroups; g++) {
        map[node->output[g]] = node->groups[g];
        bitmap_set(groups, node->output[g]);
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i], *substituted;
        uint64_t *used;
        TRY(rule_columns_new(context, &used));
        expr_columns(e, used);
        bool any = false, others = false;
        for (ColumnId id = 1; id <= context->columns->count; id++) {
            if (!bitmap_get(used, id)) continue;
            any = true;
            others |= !bitmap_get(groups, id);
        }
        TRY(rule_substitute(context, e, map, &substituted));
        /* a condition without columns must not remove the one row of a grouping without groups */
        bool stays = others || !any || e->is_volatile || e->may_raise || substituted->may_raise ||
                     substituted->is_volatile;
        TRY(rule_list_add(context, stays ? &above : &below, stays ? e : substituted));
    }
    column_map_clear(context, node);
    LogicalNode *aggregate;
    TRY_ALLOC(aggregate, logical_copy(context->arena, node), context->err);
    TRY(push(context, node->children[0], &below, &aggregate->children[0]));
    return rule_filter(context, aggregate, &above, out);
}

/* Is the column the same expression in all sets? */
static bool same_in_all_sets(const LogicalNode *node, uint32_t output) {
    for (uint32_t s = 1; s < node->nsets; s++) {
        if (node->sets[s][output] != node->sets[0][output] &&
            !expr_equal(node->sets[s][output], node->sets[0][output])) {
            return false;
        }
    }
    return node->nsets > 0;
}

/* Conditions on columns that are the same in all sets go below. */
static Status push_expand(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                          LogicalNode **out) {
    ExprList below = {0}, above = {0};
    Expr **map;
    uint64_t *same;
    TRY(column_map(context, &map));
    TRY(rule_columns_new(context, &same));
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (!same_in_all_sets(node, i)) continue;
        map[node->output[i]] = node->sets[0][i];
        bitmap_set(same, node->output[i]);
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i], *substituted;
        uint64_t *used;
        TRY(rule_columns_new(context, &used));
        expr_columns(e, used);
        bool others = false;
        for (ColumnId id = 1; id <= context->columns->count && !others; id++)
            others = bitmap_get(used, id) && !bitmap_get(same, id);
        TRY(rule_substitute(context, e, map, &substituted));
        bool stays = others || e->is_volatile || substituted->is_volatile;
        TRY(rule_list_add(context, stays ? &above : &below, stays ? e : substituted));
    }
    column_map_clear(context, node);
    LogicalNode *expand;
    TRY_ALLOC(expand, logical_copy(context->arena, node), context->err);
    TRY(push(context, node->children[0], &below, &expand->children[0]));
    return rule_filter(context, expand, &above, out);
}

/* What speaks of the rows below only moves down. What raises must not: a row without elements would not
 * have come so far. A condition that refuses NULL elements makes a left UNNEST a plain one. */
static Status push_unnest(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                          LogicalNode **out) {
    ExprList below = {0}, above = {0};
    LogicalNode *unnest;
    TRY_ALLOC(unnest, logical_copy(context->arena, node), context->err);
    LogicalNode elements = {.noutput = node->noutput - node->nkept,
                            .output = node->output + node->nkept};
    if (any_rejects(conjuncts, &elements)) unnest->keep_empty = false;
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i];
        bool movable;
        TRY(rule_uses_only(context, e, node->children[0], &movable));
        movable = movable && !e->may_raise && !e->is_volatile;
        TRY(rule_list_add(context, movable ? &below : &above, e));
    }
    TRY(push(context, node->children[0], &below, &unnest->children[0]));
    return rule_filter(context, unnest, &above, out);
}

/* May equal values of the type be told apart by a condition: 0 and -0, one instant in two zones? */
static bool tells_equals_apart(Type type) {
    return type.id == TRIB_TYPE_REAL || type.id == TRIB_TYPE_DOUBLE || type_is_nested(type) ||
           type.id == TRIB_TYPE_TIMESTAMP_TZ || type.id == TRIB_TYPE_TIME_TZ;
}

/* Conditions on what the rows are partitioned by leave partitions whole. */
static Status push_window(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                          LogicalNode **out) {
    ExprList below = {0}, above = {0};
    uint64_t *partition, *used;
    TRY(rule_columns_new(context, &partition));
    for (uint32_t i = 0; i < node->npartition; i++) {
        const Expr *key = node->keys[i].expr;
        if (key->kind == EXPR_COLUMN && !tells_equals_apart(key->type))
            bitmap_set(partition, key->as.column_id);
    }
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i];
        bool only = !e->is_volatile && !e->may_raise;
        TRY(rule_columns_new(context, &used));
        expr_columns(e, used);
        for (ColumnId id = 1; only && id <= context->columns->count; id++)
            only = !bitmap_get(used, id) || bitmap_get(partition, id);
        TRY(rule_list_add(context, only ? &below : &above, e));
    }
    LogicalNode *window;
    TRY_ALLOC(window, logical_copy(context->arena, node), context->err);
    TRY(push(context, node->children[0], &below, &window->children[0]));
    return rule_filter(context, window, &above, out);
}

static Status push_union(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                         LogicalNode **out) {
    ExprList above = {0}, moving = {0};
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        Expr *e = conjuncts->items[i];
        /* what raises must see the rows of the result only, not those of a side */
        bool stays = e->is_volatile || (node->kind == LOGICAL_SETOP && e->may_raise);
        TRY(rule_list_add(context, stays ? &above : &moving, e));
    }
    LogicalNode *all;
    TRY_ALLOC(all, logical_copy(context->arena, node), context->err);
    for (uint32_t c = 0; c < node->nchildren; c++) {
        ExprList below = {0};
        Expr **map;
        TRY(column_map(context, &map));
        for (uint32_t i = 0; i < node->noutput; i++) {
            TRY_ALLOC(map[node->output[i]], rule_column(context, node->inputs[c][i]), context->err);
        }
        for (uint32_t i = 0; i < moving.count; i++) {
            Expr *e;
            TRY(rule_substitute(context, moving.items[i], map, &e));
            TRY(rule_list_add(context, &below, e));
        }
        column_map_clear(context, node);
        TRY(push(context, node->children[c], &below, &all->children[c]));
    }
    return rule_filter(context, all, &above, out);
}

static Status push_filter(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                          LogicalNode **out) {
    ExprList all = {0};
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        TRY(rule_list_conjuncts(context, &all, node->conjuncts[i]));
    for (uint32_t i = 0; i < conjuncts->count; i++)
        TRY(rule_list_add(context, &all, conjuncts->items[i]));
    return push(context, node->children[0], &all, out);
}

/* Nothing passes: the conjuncts stay above, the children start afresh. */
static Status stop_here(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                        LogicalNode **out) {
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    for (uint32_t i = 0; i < node->nchildren; i++) {
        ExprList none = {0};
        TRY(push(context, node->children[i], &none, &copy->children[i]));
    }
    return rule_filter(context, copy, conjuncts, out);
}

static Status push_through(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                           LogicalNode **out) {
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY(push(context, node->children[0], conjuncts, &copy->children[0]));
    *out = copy;
    return TRIB_OK;
}

/* FALSE and NULL let no row through. Earlier conjuncts that may raise must still be evaluated. */
static bool never_true(const ExprList *conjuncts) {
    for (uint32_t i = 0; i < conjuncts->count; i++) {
        const Expr *e = conjuncts->items[i];
        if (e->may_raise) return false;
        if (e->kind == EXPR_CONSTANT && (e->as.value.is_null || e->as.value.as.integer == 0))
            return true;
    }
    return false;
}

static Status push(RuleContext *context, LogicalNode *node, ExprList *conjuncts,
                   LogicalNode **out) {
    if (never_true(conjuncts)) return rule_empty(context, node, out);
    switch (node->kind) {
    case LOGICAL_FILTER: return push_filter(context, node, conjuncts, out);
    case LOGICAL_PROJECT: return push_project(context, node, conjuncts, out);
    case LOGICAL_JOIN: return push_join(context, node, conjuncts, out);
    case LOGICAL_AGGREGATE:
        /* an input without rows must not be made where there is a row for it */
        return node->nempty ? stop_here(context, node, conjuncts, out)
                            : push_aggregate(context, node, conjuncts, out);
    case LOGICAL_WINDOW: return push_window(context, node, conjuncts, out);
    case LOGICAL_EXPAND: return push_expand(context, node, conjuncts, out);
    case LOGICAL_SETOP: /* rows that are equal fare alike: on both sides */
    case LOGICAL_UNION: return push_union(context, node, conjuncts, out);
    case LOGICAL_SAMPLE: /* each row is drawn by itself */
        return node->system ? stop_here(context, node, conjuncts, out)
                            : push_through(context, node, conjuncts, out);
    case LOGICAL_UNNEST: return push_unnest(context, node, conjuncts, out);
    case LOGICAL_SORT: return push_through(context, node, conjuncts, out);
    default: return stop_here(context, node, conjuncts, out);
    }
}

Status rule_push_filters(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    ExprList none = {0};
    return push(context, in, &none, out);
}
