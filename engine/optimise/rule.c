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

/* Maps an array of expressions; *array is replaced by a copy when something changed. */
static Status map_array(RuleContext *context, uint32_t count, Expr ***array, ExprMap map,
                        void *state, bool *changed) {
    Expr **copy = NULL;
    for (uint32_t i = 0; i < count; i++) {
        Expr *e;
        TRY(map(context, state, (*array)[i], &e));
        if (e == (*array)[i]) continue;
        if (!copy) {
            TRY_ALLOC(copy, ARENA_ARRAY(context->arena, Expr *, count), context->err);
            memcpy(copy, *array, count * sizeof *copy);
        }
        copy[i] = e;
    }
    if (copy) {
        *array = copy;
        *changed = true;
    }
    return TRIB_OK;
}

static Status map_matrix(RuleContext *context, uint32_t rows, uint32_t count, Expr ****matrix,
                         ExprMap map, void *state, bool *changed) {
    Expr ***copy = NULL;
    for (uint32_t r = 0; r < rows; r++) {
        Expr **row = (*matrix)[r];
        bool row_changed = false;
        TRY(map_array(context, count, &row, map, state, &row_changed));
        if (!row_changed) continue;
        if (!copy) {
            TRY_ALLOC(copy, ARENA_ARRAY(context->arena, Expr **, rows), context->err);
            memcpy(copy, *matrix, rows * sizeof *copy);
        }
        copy[r] = row;
    }
    if (copy) {
        *matrix = copy;
        *changed = true;
    }
    return TRIB_OK;
}

static Status map_keys(RuleContext *context, uint32_t count, SortKey **keys, ExprMap map,
                       void *state, bool *changed) {
    SortKey *copy;
    TRY_ALLOC(copy, ARENA_ARRAY(context->arena, SortKey, count), context->err);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = (*keys)[i];
        TRY(map(context, state, (*keys)[i].expr, &copy[i].expr));
        *changed |= copy[i].expr != (*keys)[i].expr;
    }
    *keys = copy;
    return TRIB_OK;
}

static Status map_one(RuleContext *context, Expr **e, ExprMap map, void *state, bool *changed) {
    if (!*e) return TRIB_OK;
    Expr *mapped;
    TRY(map(context, state, *e, &mapped));
    *changed |= mapped != *e;
    *e = mapped;
    return TRIB_OK;
}

Status rule_map_exprs(RuleContext *context, LogicalNode *node, ExprMap map, void *state,
                      LogicalNode **out) {
    LogicalNode *copy;
    bool changed = false;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY(map_array(context, copy->nconjuncts, &copy->conjuncts, map, state, &changed));
    if (copy->exprs) TRY(map_array(context, copy->noutput, &copy->exprs, map, state, &changed));
    TRY(map_array(context, copy->nunnest, &copy->unnest, map, state, &changed));
    TRY(map_array(context, copy->ngroups, &copy->groups, map, state, &changed));
    TRY(map_array(context, copy->naggregates, &copy->aggregates, map, state, &changed));
    if (copy->nkeys) TRY(map_keys(context, copy->nkeys, &copy->keys, map, state, &changed));
    TRY(map_one(context, &copy->limit, map, state, &changed));
    TRY(map_one(context, &copy->offset, map, state, &changed));
    TRY(map_matrix(context, copy->nrows, copy->noutput, &copy->value_rows, map, state, &changed));
    TRY(map_matrix(context, copy->nsets, copy->noutput, &copy->sets, map, state, &changed));
    *out = changed ? copy : node;
    return TRIB_OK;
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
