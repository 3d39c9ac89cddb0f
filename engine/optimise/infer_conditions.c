/*
 * infer_conditions.c - a condition on a column holds for the columns that must equal it.
 *
 *   a.k = b.k AND a.k < 5                              AND b.k < 5
 *   a LEFT JOIN b ON a.k = b.k, above: a.k < 5         ON ... AND b.k < 5
 *
 * Walks down with the equalities and the conditions that hold for all rows that matter: those of
 * filters and of the ON of inner joins, on their way to the tables. A condition is carried over if it
 * compares one column with constants. What is added moves to the table with push_filters, which has
 * its turn after this rule.
 */
#include "engine/optimise/rule.h"

#define KNOWN_MOST 512 /* conditions that are looked at together */

/* What holds for all rows of a node that can reach the result. */
typedef struct Known {
    ExprList equalities, conditions;
} Known;

static Status infer(RuleContext *context, LogicalNode *node, const Known *above, LogicalNode **out);

static bool is_equality(const Expr *e) {
    return e->kind == EXPR_CALL && e->as.function->id == TRIB_FN_eq && e->nargs == 2 &&
           e->args[0]->kind == EXPR_COLUMN && e->args[1]->kind == EXPR_COLUMN &&
           type_equal(e->args[0]->type, e->args[1]->type);
}

/* Compares a column with constants: column in *out. Equal values compare equally. */
static bool is_comparison(const Expr *e, const Expr **out) {
    if (e->may_raise || e->is_volatile) return false;
    if (e->kind == EXPR_IN) {
        for (uint32_t i = 1; i < e->nargs; i++) {
            if (e->args[i]->kind != EXPR_CONSTANT) return false;
        }
        *out = e->args[0];
        return e->args[0]->kind == EXPR_COLUMN;
    }
    if (e->kind != EXPR_CALL || e->nargs != 2) return false;
    if (e->as.function->id < TRIB_FN_eq || e->as.function->id > TRIB_FN_ge) return false;
    for (uint32_t i = 0; i < 2; i++) {
        *out = e->args[i];
        if (e->args[i]->kind == EXPR_COLUMN && e->args[1 - i]->kind == EXPR_CONSTANT) return true;
    }
    return false;
}

static Status known_add(RuleContext *context, Known *self, Expr *e) {
    const Expr *column;
    if (self->equalities.count + self->conditions.count >= KNOWN_MOST) return TRIB_OK;
    if (is_equality(e)) return rule_list_add(context, &self->equalities, e);
    return is_comparison(e, &column) ? rule_list_add(context, &self->conditions, e) : TRIB_OK;
}

static Status known_conjuncts(RuleContext *context, Known *self, uint32_t count,
                              Expr *const *list) {
    for (uint32_t i = 0; i < count; i++) {
        ExprList all = {0};
        TRY(rule_list_conjuncts(context, &all, list[i]));
        for (uint32_t j = 0; j < all.count; j++) TRY(known_add(context, self, all.items[j]));
    }
    return TRIB_OK;
}

/* What the filters and inner joins at the top of a subtree ask for; it holds for all of its rows. */
static Status known_below(RuleContext *context, Known *self, const LogicalNode *node) {
    for (;;) {
        bool inner =
            node->kind == LOGICAL_JOIN && (node->join == JOIN_INNER || node->join == JOIN_CROSS);
        bool kept =
            node->kind == LOGICAL_JOIN &&
            (node->join == JOIN_LEFT || node->join == JOIN_SEMI || node->join == JOIN_ANTI ||
             node->join == JOIN_ANTI_NULLS || node->join == JOIN_MARK);
        if (node->kind == LOGICAL_FILTER || inner)
            TRY(known_conjuncts(context, self, node->nconjuncts, node->conjuncts));
        if (inner) TRY(known_below(context, self, node->children[1]));
        if (node->kind != LOGICAL_FILTER && !inner && !kept) return TRIB_OK;
        if (self->equalities.count + self->conditions.count >= KNOWN_MOST) return TRIB_OK;
        node = node->children[0];
    }
}

/* ---------------------------------------------------------------- carrying over */

typedef struct Renaming {
    ColumnId from;
    Expr *to;
} Renaming;

static Expr *rename_column(void *context, const Expr *e) {
    const Renaming *self = context;
    return e->kind == EXPR_COLUMN && e->as.column_id == self->from ? self->to : NULL;
}

static bool has(const ExprList *list, const Expr *e) {
    for (uint32_t i = 0; i < list->count; i++) {
        if (expr_equal(list->items[i], e)) return true;
    }
    return false;
}

/* Adds to `known` what follows, until nothing new does; the new conditions stand behind the old. */
static Status known_close(RuleContext *context, Known *self) {
    for (uint32_t c = 0; c < self->conditions.count && c < KNOWN_MOST; c++) {
        const Expr *column = NULL;
        Expr *e = self->conditions.items[c];
        if (!is_comparison(e, &column)) continue;
        for (uint32_t q = 0; q < self->equalities.count; q++) {
            Expr *const *sides = self->equalities.items[q]->args;
            for (uint32_t s = 0; s < 2; s++) {
                if (sides[s]->as.column_id != column->as.column_id) continue;
                Renaming renaming = {column->as.column_id, sides[1 - s]};
                Expr *carried;
                TRY(expr_rewrite(context->arena, e, rename_column, &renaming, &carried,
                                 context->err));
                if (!has(&self->conditions, carried))
                    TRY(rule_list_add(context, &self->conditions, carried));
            }
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- nodes */

static Status with_conjuncts(RuleContext *context, LogicalNode *node, const ExprList *added,
                             uint32_t from, LogicalNode **out) {
    ExprList all = {0};
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        TRY(rule_list_add(context, &all, node->conjuncts[i]));
    for (uint32_t i = from; i < added->count; i++)
        TRY(rule_list_add(context, &all, added->items[i]));
    TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
    (*out)->nconjuncts = all.count;
    (*out)->conjuncts = all.items;
    return TRIB_OK;
}

/* A filter or an inner join at the top of its region: what follows from all of the region is added to it. */
static Status infer_top(RuleContext *context, LogicalNode *node, LogicalNode **out) {
    Known known = {0};
    TRY(known_below(context, &known, node));
    uint32_t before = known.conditions.count;
    if (known.equalities.count && before) TRY(known_close(context, &known));
    if (known.conditions.count > before)
        TRY(with_conjuncts(context, node, &known.conditions, before, &node));
    if (node->kind == LOGICAL_JOIN && node->join == JOIN_CROSS && node->nconjuncts)
        node->join = JOIN_INNER;
    *out = node;
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    for (uint32_t i = 0; i < node->nchildren; i++)
        TRY(infer(context, node->children[i], &known, &copy->children[i]));
    *out = copy;
    return TRIB_OK;
}

/* The right side of a LEFT, SEMI or ANTI join: only rows that match matter, so what is known of the left side's
 * keys holds for its own. */
static Status infer_right(RuleContext *context, LogicalNode *node, const Known *above,
                          LogicalNode **out) {
    Known known = {0}, left = {0};
    for (uint32_t i = 0; above && i < above->conditions.count; i++)
        TRY(known_add(context, &left, above->conditions.items[i]));
    TRY(known_below(context, &left, node->children[0]));
    known.conditions = left.conditions;
    for (uint32_t i = node->nin; i < node->nconjuncts; i++) {
        if (is_equality(node->conjuncts[i])) TRY(known_add(context, &known, node->conjuncts[i]));
    }
    uint32_t before = known.conditions.count;
    if (known.equalities.count && before) TRY(known_close(context, &known));
    ExprList right = {0};
    for (uint32_t i = before; i < known.conditions.count; i++) {
        bool only;
        TRY(rule_uses_only(context, known.conditions.items[i], node->children[1], &only));
        if (only) TRY(rule_list_add(context, &right, known.conditions.items[i]));
    }
    if (right.count) TRY(with_conjuncts(context, node, &right, 0, &node));
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(context->arena, node), context->err);
    TRY(infer(context, node->children[0], above, &copy->children[0]));
    TRY(infer(context, node->children[1], NULL, &copy->children[1]));
    *out = copy;
    return TRIB_OK;
}

/* `above`: what is known where the node is part of a region whose top has been seen; else NULL. */
static Status infer(RuleContext *context, LogicalNode *node, const Known *above,
                    LogicalNode **out) {
    bool inner =
        node->kind == LOGICAL_JOIN && (node->join == JOIN_INNER || node->join == JOIN_CROSS);
    bool dependent =
        node->kind == LOGICAL_JOIN && node->nin == 0 &&
        (node->join == JOIN_LEFT || node->join == JOIN_SEMI || node->join == JOIN_ANTI);
    if (dependent) return infer_right(context, node, above, out);
    if ((node->kind == LOGICAL_FILTER || inner) && !above) return infer_top(context, node, out);
    bool through = node->kind == LOGICAL_FILTER || inner;
    *out = node;
    for (uint32_t i = 0; i < node->nchildren; i++) {
        LogicalNode *child;
        TRY(infer(context, node->children[i], through ? above : NULL, &child));
        if (child == node->children[i]) continue;
        if (*out == node) TRY_ALLOC(*out, logical_copy(context->arena, node), context->err);
        (*out)->children[i] = child;
    }
    return TRIB_OK;
}

Status rule_infer_conditions(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    return infer(context, in, NULL, out);
}
