/*
 * filter_shared.c - a shared plan computes only rows that some reader wants.
 *
 * Where every reader has a condition right above it, the shared plan is filtered by
 *
 *   (what the first asks for) OR (what the second asks for) OR ...
 *
 * which moves on towards its tables. Readers keep their conditions. Conditions that may raise or are
 * volatile are left out, like in factor_conditions. Plans are taken in an order in which all readers of one
 * have their final conditions: those that read it first.
 */
#include "engine/optimise/rule.h"

#define READERS_MOST 64

typedef struct Readers {
    RuleContext *context;
    const SharedPlan *plan;
    uint32_t count;
    Expr *conditions[READERS_MOST]; /* in terms of the shared plan's columns */
    bool hopeless;                  /* a reader wants all rows */
} Readers;

/* What the filter above a reader asks for; NULL = nothing that can be moved. */
static Status reader_condition(Readers *self, const LogicalNode *filter, Expr **out) {
    RuleContext *context = self->context;
    const LogicalNode *leaf = filter->children[0];
    Expr **map, **kept;
    uint32_t n = 0;
    TRY_ALLOC(map, ARENA_ARRAY(context->arena, Expr *, context->columns->count + 1), context->err);
    TRY_ALLOC(kept, ARENA_ARRAY(context->arena, Expr *, filter->nconjuncts), context->err);
    for (uint32_t i = 0; i < leaf->noutput; i++) {
        TRY_ALLOC(map[leaf->output[i]],
                  rule_column(context, self->plan->ids[leaf->table_columns[i]]), context->err);
    }
    for (uint32_t i = 0; i < filter->nconjuncts; i++) {
        const Expr *e = filter->conjuncts[i];
        if (e->may_raise || e->is_volatile) continue;
        TRY(rule_substitute(context, e, map, &kept[n++]));
    }
    *out = NULL;
    if (n > 0) TRY_ALLOC(*out, expr_boolean(context->arena, EXPR_AND, n, kept), context->err);
    return TRIB_OK;
}

static Status readers_add(Readers *self, Expr *condition) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (expr_equal(self->conditions[i], condition)) return TRIB_OK;
    }
    self->hopeless = self->count == READERS_MOST;
    if (!self->hopeless) self->conditions[self->count++] = condition;
    return TRIB_OK;
}

static Status readers_collect(Readers *self, const LogicalNode *node) {
    const LogicalNode *child = node->nchildren ? node->children[0] : NULL;
    if (node->kind == LOGICAL_SHARED && node->shared == self->plan) self->hopeless = true;
    if (self->hopeless) return TRIB_OK;
    if (node->kind == LOGICAL_FILTER && child->kind == LOGICAL_SHARED &&
        child->shared == self->plan) {
        Expr *condition;
        TRY(reader_condition(self, node, &condition));
        self->hopeless = !condition;
        return condition ? readers_add(self, condition) : TRIB_OK;
    }
    for (uint32_t i = 0; i < node->nchildren; i++) TRY(readers_collect(self, node->children[i]));
    return TRIB_OK;
}

static Status filter_one(RuleContext *context, LogicalNode *root, SharedPlan *shared) {
    Readers readers = {.context = context, .plan = shared};
    TRY(readers_collect(&readers, root));
    for (uint32_t i = 0; i < context->plan->nshared; i++)
        TRY(readers_collect(&readers, context->plan->shared[i]->root));
    if (readers.hopeless || readers.count == 0) return TRIB_OK;
    Expr *any;
    ExprList list = {0};
    TRY_ALLOC(any, expr_boolean(context->arena, EXPR_OR, readers.count, readers.conditions),
              context->err);
    TRY(rule_list_conjuncts(context, &list, any));
    LogicalNode *filtered;
    TRY(rule_filter(context, shared->root, &list, &filtered));
    TRY(rule_factor_conditions(context, filtered, &filtered));
    return rule_push_filters(context, filtered, &shared->root);
}

Status rule_filter_shared(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    uint32_t *order, count;
    *out = in;
    if (in != context->plan->root || context->plan->nshared == 0) return TRIB_OK;
    TRY_ALLOC(order, logical_shared_order(context->arena, context->plan, &count), context->err);
    for (uint32_t i = count; i-- > 0;)
        TRY(filter_one(context, in, context->plan->shared[order[i]]));
    return TRIB_OK;
}
