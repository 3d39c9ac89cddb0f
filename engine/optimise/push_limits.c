/*
 * push_limits.c - LIMIT and top-N move towards the tables.
 *
 *   LIMIT over SORT                  top-N
 *   LIMIT, top-N over PROJECT        below it (top-N only if its keys are columns passed through)
 *   LIMIT over UNION ALL             also into each input (offset + limit rows)
 *   LIMIT, top-N over an outer join  also to the kept side, if the keys are its columns: the join keeps
 *                                    each of its rows at least once
 */
#include "engine/optimise/rule.h"

static bool constant_count(const Expr *e, int64_t *out) {
    if (!e) return false;
    if (e->kind != EXPR_CONSTANT || e->as.value.is_null || e->as.value.as.integer < 0) return false;
    *out = e->as.value.as.integer;
    return true;
}

/* A copy of a LIMIT or top-N over another child that keeps limit + offset rows and skips none. */
static Status without_offset(RuleContext *context, const LogicalNode *node, LogicalNode *child,
                             LogicalNode **out) {
    int64_t limit = 0, offset = 0;
    constant_count(node->limit, &limit);
    constant_count(node->offset, &offset);
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    copy->noutput = child->noutput;
    copy->output = child->output;
    copy->children[0] = child;
    copy->offset = NULL;
    Value rows = {.type = TYPE(BIGINT)};
    if (__builtin_add_overflow(limit, offset, &rows.as.integer)) rows.as.integer = INT64_MAX;
    TRY_ALLOC(copy->limit, expr_constant(context->arena, rows), context->err);
    *out = copy;
    return TRIB_OK;
}

static Status limit_over_sort(RuleContext *context, const LogicalNode *limit, LogicalNode **out) {
    LogicalNode *topn;
    TRY_ALLOC(topn, logical_copy(context->arena, limit->children[0]), context->err);
    topn->kind = LOGICAL_TOPN;
    topn->limit = limit->limit;
    topn->offset = limit->offset;
    *out = topn;
    return TRIB_OK;
}

/* The keys in terms of the projection's input; false if one is computed. */
static Status keys_below(RuleContext *context, const LogicalNode *node, const LogicalNode *project,
                         SortKey **keys, bool *ok) {
    *ok = true;
    TRY_ALLOC(*keys, ARENA_ARRAY(context->arena, SortKey, node->nkeys), context->err);
    for (uint32_t k = 0; k < node->nkeys; k++) {
        (*keys)[k] = node->keys[k];
        Expr *below = NULL;
        for (uint32_t i = 0; i < project->noutput; i++) {
            if (project->output[i] == node->keys[k].expr->as.column_id) below = project->exprs[i];
        }
        if (!below || below->kind != EXPR_COLUMN) {
            *ok = false;
            return TRIB_OK;
        }
        (*keys)[k].expr = below;
    }
    return TRIB_OK;
}

static bool any_volatile(const LogicalNode *project) {
    for (uint32_t i = 0; i < project->noutput; i++) {
        if (project->exprs[i]->is_volatile) return true;
    }
    return false;
}

static Status over_project(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *project = node->children[0];
    SortKey *keys;
    bool ok;
    *out = node;
    if (any_volatile(project)) return TRIB_OK;
    TRY(keys_below(context, node, project, &keys, &ok));
    if (!ok) return TRIB_OK;
    LogicalNode *below, *above;
    TRY_ALLOC(below, logical_copy(context->arena, node), context->err);
    below->children[0] = project->children[0];
    below->noutput = project->children[0]->noutput;
    below->output = project->children[0]->output;
    below->keys = keys;
    TRY_ALLOC(above, logical_copy(context->arena, project), context->err);
    TRY(rule_push_limits(context, below, &above->children[0]));
    *out = above;
    return TRIB_OK;
}

static Status over_union(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *all;
    TRY_ALLOC(all, logical_copy(context->arena, node->children[0]), context->err);
    for (uint32_t i = 0; i < all->nchildren; i++) {
        LogicalNode *limit;
        TRY(without_offset(context, node, all->children[i], &limit));
        TRY(rule_push_limits(context, limit, &all->children[i]));
    }
    TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
    (*out)->children[0] = all;
    return TRIB_OK;
}

static Status over_join(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    LogicalNode *join = node->children[0];
    uint32_t kept = join->join == JOIN_RIGHT ? 1 : 0;
    *out = node;
    for (uint32_t k = 0; k < node->nkeys; k++) {
        if (!logical_has_output(join->children[kept], node->keys[k].expr->as.column_id))
            return TRIB_OK;
    }
    LogicalNode *limited, *copy;
    TRY(without_offset(context, node, join->children[kept], &limited));
    TRY_ALLOC(copy, logical_copy(context->arena, join), context->err);
    TRY(rule_push_limits(context, limited, &copy->children[kept]));
    TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
    (*out)->children[0] = copy;
    return TRIB_OK;
}

Status rule_push_limits(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node = in;
    int64_t limit, offset = 0;
    bool counted = (node->kind == LOGICAL_LIMIT || node->kind == LOGICAL_TOPN) &&
                   constant_count(node->limit, &limit) &&
                   (!node->offset || constant_count(node->offset, &offset));
    if (counted && node->kind == LOGICAL_LIMIT && node->children[0]->kind == LOGICAL_SORT) {
        TRY(limit_over_sort(context, node, &node));
    }
    if (counted) {
        const LogicalNode *child = node->children[0];
        LogicalNode *pushed = node;
        if (child->kind == LOGICAL_PROJECT) TRY(over_project(context, node, &pushed));
        if (child->kind == LOGICAL_UNION && node->kind == LOGICAL_LIMIT)
            TRY(over_union(context, node, &pushed));
        if (child->kind == LOGICAL_JOIN &&
            (child->join == JOIN_LEFT || child->join == JOIN_RIGHT)) {
            TRY(over_join(context, node, &pushed));
        }
        if (pushed != node) {
            *out = pushed;
            return TRIB_OK;
        }
    }
    return rule_map_children(context, node, rule_push_limits, out);
}
