/*
 * inline_ctes.c - uses of common table expressions that are not shared become their queries.
 */
#include "engine/optimise/rule.h"

Status rule_inline_ctes(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_inline_ctes, &node));
    *out = node;
    if (node->kind != LOGICAL_CTE) return TRIB_OK;
    LogicalNode *child = node->children[0];
    *out = child;
    if (child->noutput == node->noutput &&
        memcmp(child->output, node->output, node->noutput * sizeof *node->output) == 0) {
        return TRIB_OK;
    }
    return rule_project_columns(context, child, node->noutput, node->output, out);
}
