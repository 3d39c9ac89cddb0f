/*
 * merge_projections.c - a projection of a projection becomes one; one that changes nothing goes.
 *
 * Computed columns are put into the outer expressions only where each is used once (no work is done
 * twice) and nothing is volatile.
 */
#include "engine/optimise/rule.h"

static bool is_identity(const LogicalNode *node) {
    const LogicalNode *child = node->children[0];
    if (node->noutput != child->noutput) return false;
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (node->exprs[i]->kind != EXPR_COLUMN || node->exprs[i]->as.column_id != node->output[i])
            return false;
        if (node->output[i] != child->output[i]) return false;
    }
    return true;
}

static void count_uses(const Expr *e, uint32_t *uses) {
    if (e->kind == EXPR_COLUMN) uses[e->as.column_id]++;
    for (uint32_t i = 0; i < e->nargs; i++) count_uses(e->args[i], uses);
}

static Status merge(RuleContext *context, LogicalNode *outer, LogicalNode **out) {
    LogicalNode *inner = outer->children[0];
    uint32_t *uses;
    TRY_ALLOC(uses, ARENA_ARRAY(context->arena, uint32_t, context->columns->count + 1),
              context->err);
    for (uint32_t i = 0; i < outer->noutput; i++) count_uses(outer->exprs[i], uses);
    Expr **map;
    TRY_ALLOC(map, ARENA_ARRAY(context->arena, Expr *, context->columns->count + 1), context->err);
    *out = outer;
    for (uint32_t i = 0; i < inner->noutput; i++) {
        const Expr *e = inner->exprs[i];
        bool free = e->kind == EXPR_COLUMN || e->kind == EXPR_CONSTANT;
        if (!free && (uses[inner->output[i]] > 1 || e->is_volatile)) return TRIB_OK;
        map[inner->output[i]] = inner->exprs[i];
    }
    LogicalNode *merged;
    TRY_ALLOC(merged, logical_copy(context->arena, outer), context->err);
    TRY_ALLOC(merged->exprs, ARENA_ARRAY(context->arena, Expr *, outer->noutput), context->err);
    for (uint32_t i = 0; i < outer->noutput; i++)
        TRY(rule_substitute(context, outer->exprs[i], map, &merged->exprs[i]));
    merged->children[0] = inner->children[0];
    *out = merged;
    return TRIB_OK;
}

Status rule_merge_projections(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_merge_projections, &node));
    if (node->kind == LOGICAL_PROJECT && node->children[0]->kind == LOGICAL_PROJECT)
        TRY(merge(context, node, &node));
    if (node->kind == LOGICAL_PROJECT && is_identity(node)) node = node->children[0];
    *out = node;
    return TRIB_OK;
}
