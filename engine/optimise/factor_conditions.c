/*
 * factor_conditions.c - what all branches of an OR ask for is asked for before it.
 *
 *   (a AND b) OR (a AND c)   a AND (b OR c)
 *
 * A join's equality is often written into each branch; taken out it is a key. What is left of an OR over
 * several relations implies a condition on each relation that every branch speaks of, which is added
 * so that it can move to the table:
 *
 *   (x.a = 1 AND y.b = 2) OR (x.a = 3 AND y.b = 4)   AND (x.a = 1 OR x.a = 3) AND (y.b = 2 OR y.b = 4)
 *
 * Conditions that may raise or are volatile are neither taken out nor added.
 */
#include "engine/optimise/rule.h"

#define BRANCHES_MOST 256 /* of an OR: comparing them costs their product */

/* Which relation below a node a column comes from: what is not a join or a filter is a relation. */
typedef struct Relations {
    uint32_t *of; /* by ColumnId; 0 = none of them */
    uint32_t count;
} Relations;

static void relations_number(Relations *self, const LogicalNode *node) {
    if (node->kind == LOGICAL_JOIN || node->kind == LOGICAL_FILTER) {
        for (uint32_t i = 0; i < node->nchildren; i++) relations_number(self, node->children[i]);
        return;
    }
    self->count++;
    for (uint32_t i = 0; i < node->noutput; i++) self->of[node->output[i]] = self->count;
}

/* The only relation that an expression speaks of; 0: none, UINT32_MAX: several. */
static uint32_t relation_of(const Relations *self, const Expr *e) {
    if (e->kind == EXPR_COLUMN)
        return self->of[e->as.column_id] ? self->of[e->as.column_id] : UINT32_MAX;
    uint32_t found = 0;
    for (uint32_t i = 0; i < e->nargs; i++) {
        uint32_t one = relation_of(self, e->args[i]);
        if (one && found && one != found) return UINT32_MAX;
        if (one) found = one;
    }
    return found;
}

static bool is_plain(const Expr *e) {
    return !e->may_raise && !e->is_volatile;
}

static bool list_has(const ExprList *list, const Expr *e) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_equal(list->items[i], e)) return true;
    }
    return false;
}

static Status combine(RuleContext *context, ExprKind kind, const ExprList *list, Expr **out) {
    *out = list->items[0];
    if (list->count == 1) return TRIB_OK;
    TRY_ALLOC(*out, expr_boolean(context->arena, kind, list->count, list->items), context->err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- common conditions */

static Status branches_of(RuleContext *context, const Expr *e, ExprList **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(context->arena, ExprList, e->nargs), context->err);
    for (uint32_t b = 0; b < e->nargs; b++)
        TRY(rule_list_conjuncts(context, &(*out)[b], e->args[b]));
    return TRIB_OK;
}

/* Moves what all branches have to `common`; *always: some branch asks for nothing else. */
static Status take_common(RuleContext *context, uint32_t count, ExprList *branches,
                          ExprList *common, bool *always) {
    for (uint32_t i = 0; i < branches[0].count; i++) {
        Expr *e = branches[0].items[i];
        bool everywhere = is_plain(e) && !list_has(common, e);
        for (uint32_t b = 1; b < count && everywhere; b++) everywhere = list_has(&branches[b], e);
        if (everywhere) TRY(rule_list_add(context, common, e));
    }
    *always = false;
    for (uint32_t b = 0; b < count && common->count; b++) {
        ExprList rest = {0};
        for (uint32_t i = 0; i < branches[b].count; i++) {
            if (!list_has(common, branches[b].items[i]))
                TRY(rule_list_add(context, &rest, branches[b].items[i]));
        }
        branches[b] = rest;
        *always |= rest.count == 0;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- implied conditions */

/* The OR of what the branches ask of one relation, if each asks something of it. */
static Status imply(RuleContext *context, const Relations *relations, uint32_t relation,
                    uint32_t count, const ExprList *branches, ExprList *out) {
    ExprList any = {0};
    for (uint32_t b = 0; b < count; b++) {
        ExprList all = {0};
        for (uint32_t i = 0; i < branches[b].count; i++) {
            Expr *e = branches[b].items[i];
            if (is_plain(e) && relation_of(relations, e) == relation)
                TRY(rule_list_add(context, &all, e));
        }
        if (all.count == 0) return TRIB_OK;
        Expr *branch;
        TRY(combine(context, EXPR_AND, &all, &branch));
        if (!list_has(&any, branch)) TRY(rule_list_add(context, &any, branch));
    }
    Expr *implied;
    TRY(combine(context, EXPR_OR, &any, &implied));
    return rule_list_add(context, out, implied);
}

static Status imply_all(RuleContext *context, const Relations *relations, const Expr *e,
                        uint32_t count, const ExprList *branches, ExprList *out) {
    if (relation_of(relations, e) != UINT32_MAX) return TRIB_OK; /* moves as a whole */
    for (uint32_t i = 0; i < branches[0].count; i++) {
        uint32_t relation = relation_of(relations, branches[0].items[i]);
        bool before = false;
        for (uint32_t j = 0; j < i && !before; j++)
            before = relation_of(relations, branches[0].items[j]) == relation;
        if (relation != 0 && relation != UINT32_MAX && !before)
            TRY(imply(context, relations, relation, count, branches, out));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- nodes */

static Status factor(RuleContext *context, const Relations *relations, Expr *e, ExprList *out) {
    ExprList *branches, common = {0};
    bool always;
    TRY(branches_of(context, e, &branches));
    TRY(take_common(context, e->nargs, branches, &common, &always));
    for (uint32_t i = 0; i < common.count; i++) TRY(rule_list_add(context, out, common.items[i]));
    if (always) return TRIB_OK;
    Expr *rest = e;
    if (common.count) {
        ExprList any = {0};
        for (uint32_t b = 0; b < e->nargs; b++) {
            Expr *branch;
            TRY(combine(context, EXPR_AND, &branches[b], &branch));
            TRY(rule_list_add(context, &any, branch));
        }
        TRY(combine(context, EXPR_OR, &any, &rest));
    }
    TRY(rule_list_add(context, out, rest));
    return imply_all(context, relations, rest, e->nargs, branches, out);
}

static bool is_factorable(const Expr *e) {
    return e->kind == EXPR_OR && e->nargs >= 2 && e->nargs <= BRANCHES_MOST && !e->is_volatile;
}

static bool has_factorable(const LogicalNode *node) {
    for (uint32_t i = node->nin; i < node->nconjuncts; i++) {
        if (is_factorable(node->conjuncts[i])) return true;
    }
    return false;
}

/* The first conjuncts of IN's joins are comparisons, which stay. */
Status rule_factor_conditions(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_factor_conditions, &node));
    *out = node;
    if ((node->kind != LOGICAL_FILTER && node->kind != LOGICAL_JOIN) || !has_factorable(node))
        return TRIB_OK;
    Relations relations = {0};
    TRY_ALLOC(relations.of, ARENA_ARRAY(context->arena, uint32_t, context->columns->count + 1),
              context->err);
    for (uint32_t i = 0; i < node->nchildren; i++) relations_number(&relations, node->children[i]);
    ExprList all = {0};
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e = node->conjuncts[i];
        if (i >= node->nin && is_factorable(e))
            TRY(factor(context, &relations, e, &all));
        else
            TRY(rule_list_add(context, &all, e));
    }
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    copy->nconjuncts = all.count;
    copy->conjuncts = all.items;
    *out = copy;
    return TRIB_OK;
}
