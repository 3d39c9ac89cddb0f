/*
 * prune_shared.c - columns of a shared plan that no reader uses are not computed.
 *
 * Plans are taken in an order in which all readers of one have been pruned: those that read it first. A
 * reader's positions (table_columns) stay as they are: they are places in the plan's list of ids.
 */
#include "engine/optimise/rule.h"

static void note_used(const LogicalNode *node, const SharedPlan *shared, bool *used) {
    if (node->kind == LOGICAL_SHARED && node->shared == shared) {
        for (uint32_t i = 0; i < node->noutput; i++) used[node->table_columns[i]] = true;
    }
    for (uint32_t i = 0; i < node->nchildren; i++) note_used(node->children[i], shared, used);
}

static Status prune_one(RuleContext *context, const LogicalNode *root, SharedPlan *shared) {
    bool *used;
    ColumnId *output;
    uint32_t n = 0;
    TRY_ALLOC(used, ARENA_ARRAY(context->arena, bool, shared->ncolumns + 1), context->err);
    TRY_ALLOC(output, ARENA_ARRAY(context->arena, ColumnId, shared->ncolumns + 1), context->err);
    note_used(root, shared, used);
    for (uint32_t i = 0; i < context->plan->nshared; i++)
        note_used(context->plan->shared[i]->root, shared, used);
    for (uint32_t i = 0; i < shared->ncolumns; i++) {
        if (used[i]) output[n++] = shared->ids[i];
    }
    if (n == shared->ncolumns || shared->ncolumns == 0) return TRIB_OK;
    if (n == 0) output[n++] = shared->ids[0]; /* the number of rows is wanted all the same */
    LogicalNode *narrow;
    TRY(rule_project_columns(context, shared->root, n, output, &narrow));
    TRY(rule_merge_projections(context, narrow, &narrow));
    return rule_prune_columns(context, narrow, &shared->root);
}

Status rule_prune_shared(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    uint32_t *order, count;
    *out = in;
    if (in != context->plan->root || context->plan->nshared == 0) return TRIB_OK;
    TRY_ALLOC(order, logical_shared_order(context->arena, context->plan, &count), context->err);
    for (uint32_t i = count; i-- > 0;) TRY(prune_one(context, in, context->plan->shared[order[i]]));
    return TRIB_OK;
}
