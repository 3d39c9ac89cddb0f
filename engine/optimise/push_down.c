/*
 * push_down.c - the last rule: sources are offered what they can do (pushdown/).
 */
#include "engine/optimise/rule.h"
#include "engine/pushdown/pushdown.h"

Status rule_push_down(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    PushdownContext pushdown = {.mode = context->options->mode,
                                .call = context->options->call,
                                .session = context->options->session,
                                .verify = context->options->verify};
    context->plan->root = in;
    TRY(pushdown_apply(&pushdown, context->plan, context->err));
    *out = context->plan->root;
    return TRIB_OK;
}
