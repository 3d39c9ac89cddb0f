/*
 * lift_join.c - conditions on the outer rows rise through joins, or become part of them.
 *
 * INNER: the conditions of both sides rise; where both have a key for the same outer value, the sides are
 * joined on it and one of the keys goes. LEFT, SEMI, ANTI, MARK: those of the kept side rise; those of the
 * other side decide what matches and become part of the condition, with the outer columns replaced by
 * columns of the kept side that equal them, or by the domain's. FULL: both sides are joined with the domain.
 */
#include "engine/optimise/lift.h"

static Status join_new(Lifting *self, const LogicalNode *like, const Lifted *left,
                       const Lifted *right, const ExprList *conditions, LogicalNode **out) {
    RuleContext *context = self->context;
    bool half = like->join == JOIN_SEMI || like->join == JOIN_ANTI ||
                like->join == JOIN_ANTI_NULLS || like->join == JOIN_MARK;
    uint32_t n = left->node->noutput, m = half ? 0 : right->node->noutput, mark = like->mark != 0;
    LogicalNode *join;
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, n + m + mark, 2), context->err);
    if (n) memcpy(join->output, left->node->output, n * sizeof *join->output);
    if (m) memcpy(join->output + n, right->node->output, m * sizeof *join->output);
    if (mark) join->output[n + m] = like->mark;
    join->children[0] = left->node;
    join->children[1] = right->node;
    join->join = like->join;
    join->mark = like->mark;
    join->nin = like->nin;
    join->nconjuncts = conditions->count;
    join->conjuncts = conditions->items;
    *out = join;
    return TRIB_OK;
}

static Status add_all(Lifting *self, ExprList *to, const ExprList *from) {
    for (uint32_t i = 0; i < from->count; i++)
        TRY(rule_list_add(self->context, to, from->items[i]));
    return TRIB_OK;
}

static Status bind_side(Lifting *self, const LogicalNode *side, const ExprList *more,
                        Lifted *lifted) {
    return lift_bind(self, side->noutput, side->output, more, lifted);
}

static bool has_computed(const Lifting *self, const LogicalNode *side) {
    for (uint32_t i = 0; i < side->noutput; i++) {
        ColumnId id = side->output[i];
        if (id < self->computed_count && self->computed[id]) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- INNER, CROSS */

static Status lift_inner(Lifting *self, const LogicalNode *node, Lifted *left, Lifted *right,
                         Lifted *out) {
    RuleContext *context = self->context;
    ExprList on = {0}, own = {node->nconjuncts, node->nconjuncts, node->conjuncts};
    if (left->fills) TRY(bind_side(self, node->children[0], &own, left));
    if (right->fills) TRY(bind_side(self, node->children[1], &own, right));
    out->conditions = (ExprList){0};
    TRY(add_all(self, &out->conditions, &left->conditions));
    for (uint32_t i = 0; i < right->conditions.count; i++) {
        bool joined;
        TRY(lift_meet(self, &left->conditions, right->conditions.items[i], &on, &joined));
        if (!joined) TRY(rule_list_add(context, &out->conditions, right->conditions.items[i]));
    }
    bool risen = out->conditions.count > 0;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_expr(self, node->conjuncts[i], &e));
        TRY(lift_replace_equal(self, out, e, &e));
        bool rises = lift_uses_outer(self, e) || (risen && e->may_raise);
        TRY(rule_list_add(context, rises ? &out->conditions : &on, e));
    }
    TRY(join_new(self, node, left, right, &on, &out->node));
    out->node->join = on.count ? JOIN_INNER : JOIN_CROSS;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- LEFT, SEMI, ANTI, MARK */

/* The condition over the kept side and the other one; *open: it still uses the outer rows. */
static Status match_conditions(Lifting *self, const LogicalNode *node, const Lifted *kept,
                               const Lifted *other, ExprList *out, bool *open) {
    ExprList all = {0};
    *open = false;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_expr(self, node->conjuncts[i], &e));
        *open = *open || (e->may_raise && kept->conditions.count > 0);
        TRY(rule_list_add(self->context, &all, e));
    }
    TRY(add_all(self, &all, &other->conditions));
    *out = (ExprList){0};
    for (uint32_t i = 0; i < all.count; i++) {
        Expr *e;
        TRY(lift_replace_equal(self, kept, all.items[i], &e));
        *open = *open || lift_uses_outer(self, e);
        TRY(rule_list_add(self->context, out, e));
    }
    return TRIB_OK;
}

/* `kept` and `other` are children of the node: 0 and 1, or (RIGHT) the other way round. */
static Status lift_kept(Lifting *self, const LogicalNode *node, uint32_t kept, Lifted *sides,
                        Lifted *out) {
    Lifted *keep = &sides[kept], *other = &sides[1 - kept];
    ExprList on, more = {0};
    bool open, fill = node->join == JOIN_LEFT || node->join == JOIN_RIGHT;
    if (keep->fills) TRY(bind_side(self, node->children[kept], NULL, keep));
    if (other->fills || ((fill || node->nin > 0) && has_computed(self, node->children[1 - kept])))
        TRY(bind_side(self, node->children[1 - kept], NULL, other));
    TRY(match_conditions(self, node, keep, other, &on, &open));
    if (open) {
        for (uint32_t i = 0; i < node->nconjuncts; i++) {
            Expr *e;
            TRY(lift_expr(self, node->conjuncts[i], &e));
            TRY(rule_list_add(self->context, &more, e));
        }
        TRY(add_all(self, &more, &other->conditions));
        TRY(bind_side(self, node->children[kept], &more, keep));
        TRY(match_conditions(self, node, keep, other, &on, &open));
    }
    TRY(join_new(self, node, &sides[0], &sides[1], &on, &out->node));
    out->conditions = keep->conditions;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- FULL */

/* The domain's columns are those of whichever side there is. */
static Status merge_keys(Lifting *self, const LogicalNode *node, const Lifted *left,
                         const Lifted *right, LogicalNode *join, Lifted *out) {
    RuleContext *context = self->context;
    LogicalNode *project;
    uint32_t n = join->noutput, keys = left->conditions.count;
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, n + keys, 1), context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, n + keys), context->err);
    project->children[0] = join;
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = join->output[i];
        TRY_ALLOC(project->exprs[i], rule_column(context, join->output[i]), context->err);
        context->columns->columns[join->output[i]].nullable = true;
    }
    out->conditions = (ExprList){0};
    for (uint32_t k = 0; k < keys; k++) {
        LiftKey a, b;
        Expr *both[2], *column, *e;
        lift_key(self, left->conditions.items[k], &a);
        lift_key(self, right->conditions.items[k], &b);
        both[0] = a.inner;
        both[1] = b.inner;
        TRY_ALLOC(project->exprs[n + k],
                  expr_new(context->arena, EXPR_COALESCE, a.inner->type, 2, both), context->err);
        project->output[n + k] =
            plan_column_new(context->columns, STR("outer"), a.inner->type, true);
        if (!project->output[n + k]) return error_out_of_memory(context->err);
        TRY_ALLOC(column, rule_column(context, project->output[n + k]), context->err);
        TRY(lift_key_over(self, &a, column, &e));
        TRY(rule_list_add(context, &out->conditions, e));
    }
    (void)node;
    out->node = project;
    return TRIB_OK;
}

static Status lift_full(Lifting *self, const LogicalNode *node, Lifted *left, Lifted *right,
                        Lifted *out) {
    RuleContext *context = self->context;
    ExprList more = {0}, on = {0};
    LogicalNode *join;
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_expr(self, node->conjuncts[i], &e));
        TRY(rule_list_add(context, &more, e));
    }
    for (uint32_t s = 0; s < 2; s++) {
        TRY(add_all(self, &more, s ? &right->conditions : &left->conditions));
        for (uint32_t i = 0; i < node->children[s]->noutput; i++) {
            Expr *e;
            TRY(lifted_column(self, node->children[s]->output[i], &e));
            TRY(rule_list_add(context, &more, e));
        }
    }
    TRY(bind_side(self, node->children[0], &more, left));
    TRY(bind_side(self, node->children[1], &more, right));
    for (uint32_t i = 0; i < right->conditions.count; i++) {
        bool joined;
        TRY(lift_meet(self, &left->conditions, right->conditions.items[i], &on, &joined));
    }
    for (uint32_t i = 0; i < node->nconjuncts; i++) {
        Expr *e;
        TRY(lift_replace_equal(self, left, node->conjuncts[i], &e));
        TRY(rule_list_add(context, &on, e));
    }
    TRY(join_new(self, node, left, right, &on, &join));
    return merge_keys(self, node, left, right, join, out);
}

Status lift_join(Lifting *self, LogicalNode *node, Lifted *out) {
    Lifted sides[2];
    for (uint32_t i = 0; i < 2; i++) TRY(lift(self, node->children[i], &sides[i]));
    bool correlated = sides[0].correlated || sides[1].correlated;
    for (uint32_t i = 0; i < node->nconjuncts; i++)
        correlated = correlated || lift_is_correlated(self, node->conjuncts[i]);
    *out = (Lifted){.node = node, .correlated = correlated};
    if (!correlated) return TRIB_OK;
    switch (node->join) {
    case JOIN_INNER:
    case JOIN_CROSS: return lift_inner(self, node, &sides[0], &sides[1], out);
    case JOIN_FULL: return lift_full(self, node, &sides[0], &sides[1], out);
    case JOIN_RIGHT: return lift_kept(self, node, 1, sides, out);
    default: return lift_kept(self, node, 0, sides, out);
    }
}
