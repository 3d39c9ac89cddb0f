/*
 * hand_over.c - UPDATE and DELETE are offered to the source of their target as a whole.
 */
#include "engine/optimise/rule.h"
#include "engine/pushdown/modify.h"

Status rule_hand_over(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    const OptimiseContext *options = context->options;
    *out = in;
    if (in->kind != LOGICAL_WRITE || in->nmerge > 0 ||
        (in->write != TRIB_WRITE_UPDATE && in->write != TRIB_WRITE_DELETE))
        return TRIB_OK;
    PushdownContext push = {.call = options->call, .mode = options->mode};
    TRY_ALLOC(*out, logical_copy(context->arena, in), context->err);
    return pushdown_modify(&push, context->plan, *out, context->err);
}
