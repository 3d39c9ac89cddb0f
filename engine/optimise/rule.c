/*
 * rule.c - walking plans and expressions for the rules of this folder.
 */
#include "engine/optimise/rule.h"

Status rule_map_children(RuleContext *context, LogicalNode *node, Rule map, LogicalNode **out) {
    *out = node;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        LogicalNode *child;
        TRY(map(context, node->children[i], &child));
        if (child == node->children[i]) continue;
        if (*out == node) TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
        (*out)->children[i] = child;
    }
    return TRIB_OK;
}

typedef struct MapState {
    RuleContext *context;
    ExprMap map;
    void *state;
} MapState;

static Status map_expr(void *context, Expr *e, Expr **out) {
    const MapState *self = context;
    return self->map(self->context, self->state, e, out);
}

Status rule_map_exprs(RuleContext *context, LogicalNode *node, ExprMap map, void *state,
                      LogicalNode **out) {
    MapState self = {context, map, state};
    return logical_map_exprs(context->arena, node, map_expr, &self, out, context->err);
}

Status rule_expr_over(RuleContext *context, const Expr *e, Expr *const *args, Expr **out) {
    Expr *copy;
    Expr **list;
    TRY_ALLOC(copy, ARENA_NEW(context->arena, Expr), context->err);
    TRY_ALLOC(list, ARENA_ARRAY(context->arena, Expr *, e->nargs), context->err);
    if (e->nargs) memcpy(list, args, e->nargs * sizeof *list);
    *copy = *e;
    copy->args = list;
    expr_derive(copy);
    *out = copy;
    return TRIB_OK;
}

typedef struct Substitution {
    Expr *const *map;
} Substitution;

static Expr *substitute_column(void *context, const Expr *e) {
    const Substitution *self = context;
    return e->kind == EXPR_COLUMN ? self->map[e->as.column_id] : NULL;
}

Status rule_substitute(RuleContext *context, const Expr *e, Expr *const *map, Expr **out) {
    Substitution substitution = {map};
    return expr_rewrite(context->arena, e, substitute_column, &substitution, out, context->err);
}

Status rule_columns_new(RuleContext *context, uint64_t **out) {
    size_t words = bitmap_words(context->columns->count + 1);
    TRY_ALLOC(*out, ARENA_ARRAY(context->arena, uint64_t, words), context->err);
    return TRIB_OK;
}

Status rule_uses_only(RuleContext *context, const Expr *e, const LogicalNode *node, bool *out) {
    uint64_t *bits;
    TRY(rule_columns_new(context, &bits));
    expr_columns(e, bits);
    for (uint32_t i = 0; i < node->noutput; i++) bitmap_unset(bits, node->output[i]);
    *out = bitmap_count(bits, context->columns->count + 1) == 0;
    return TRIB_OK;
}

Status rule_list_add(RuleContext *context, ExprList *list, Expr *e) {
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 8;
        Expr **items;
        TRY_ALLOC(items, ARENA_ARRAY(context->arena, Expr *, capacity), context->err);
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = e;
    return TRIB_OK;
}

Status rule_list_conjuncts(RuleContext *context, ExprList *list, Expr *e) {
    if (e->kind != EXPR_AND) return rule_list_add(context, list, e);
    for (uint32_t i = 0; i < e->nargs; i++) TRY(rule_list_conjuncts(context, list, e->args[i]));
    return TRIB_OK;
}

Status rule_filter(RuleContext *context, LogicalNode *child, const ExprList *conjuncts,
                   LogicalNode **out) {
    *out = child;
    if (conjuncts->count == 0) return TRIB_OK;
    LogicalNode *node;
    TRY_ALLOC(node, logical_new(context->arena, LOGICAL_FILTER, child->noutput, 1), context->err);
    if (child->noutput) memcpy(node->output, child->output, child->noutput * sizeof *node->output);
    node->children[0] = child;
    node->nconjuncts = conjuncts->count;
    node->conjuncts = conjuncts->items;
    *out = node;
    return TRIB_OK;
}

Expr *rule_column(RuleContext *context, ColumnId id) {
    return expr_column(context->arena, id, plan_column(context->columns, id)->type);
}

Status rule_project_columns(RuleContext *context, LogicalNode *child, uint32_t count,
                            const ColumnId *output, LogicalNode **out) {
    LogicalNode *node;
    TRY_ALLOC(node, logical_new(context->arena, LOGICAL_PROJECT, count, 1), context->err);
    TRY_ALLOC(node->exprs, ARENA_ARRAY(context->arena, Expr *, count), context->err);
    for (uint32_t i = 0; i < count; i++) {
        node->output[i] = output[i];
        TRY_ALLOC(node->exprs[i], rule_column(context, output[i]), context->err);
    }
    node->children[0] = child;
    *out = node;
    return TRIB_OK;
}

Status rule_empty(RuleContext *context, const LogicalNode *like, LogicalNode **out) {
    TRY_ALLOC(*out, logical_new(context->arena, LOGICAL_VALUES, like->noutput, 0), context->err);
    if (like->noutput) memcpy((*out)->output, like->output, like->noutput * sizeof *like->output);
    return TRIB_OK;
}

Status rule_add_shared(RuleContext *context, SharedPlan *shared) {
    LogicalPlan *plan = context->plan;
    SharedPlan **list;
    TRY_ALLOC(list, ARENA_ARRAY(context->arena, SharedPlan *, plan->nshared + 1), context->err);
    if (plan->nshared) memcpy(list, plan->shared, plan->nshared * sizeof *list);
    list[plan->nshared++] = shared;
    plan->shared = list;
    shared->id = plan->nshared;
    return TRIB_OK;
}
