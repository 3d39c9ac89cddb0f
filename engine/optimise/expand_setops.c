/*
 * expand_setops.c - INTERSECT and EXCEPT by operators that there are.
 *
 *   INTERSECT, EXCEPT          distinct left side, semi or anti join with the right one; NULLs are equal
 *   INTERSECT ALL, EXCEPT ALL  both sides together, grouped by all columns with a count of each side;
 *                              each group is put out min(l, r) or l - r times
 *
 * Runs after push_filters, which moves conditions into both sides of a SETOP.
 */
#include "engine/optimise/rule.h"

static Status call(RuleContext *context, TribFunctionId id, Expr *a, Expr *b, Expr **out) {
    Expr *args[2] = {a, b};
    Type types[2] = {a->type, b->type};
    ResolvedFunction f;
    TRY(function_resolve_id(context->arena, id, 2, types, &f, context->err));
    TRY_ALLOC(*out, expr_call(context->arena, &f, 2, args), context->err);
    return TRIB_OK;
}

static Status column_new(RuleContext *context, const char *name, Type type, ColumnId *out) {
    *out = plan_column_new(context->columns, str_from(name), type, false);
    return *out ? TRIB_OK : error_out_of_memory(context->err);
}

/* ---------------------------------------------------------------- distinct */

/* The left side's rows once each, as the columns of the set operation. */
static Status distinct_left(RuleContext *context, const LogicalNode *node, LogicalNode **out) {
    LogicalNode *distinct;
    uint32_t n = node->noutput;
    TRY_ALLOC(distinct, logical_new(context->arena, LOGICAL_AGGREGATE, n, 1), context->err);
    distinct->children[0] = node->children[0];
    distinct->ngroups = n;
    TRY_ALLOC(distinct->groups, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    for (uint32_t i = 0; i < n; i++) {
        distinct->output[i] = node->output[i];
        TRY_ALLOC(distinct->groups[i], rule_column(context, node->inputs[0][i]), context->err);
    }
    *out = distinct;
    return TRIB_OK;
}

static Status match_sides(RuleContext *context, const LogicalNode *node, LogicalNode **out) {
    LogicalNode *join;
    uint32_t n = node->noutput;
    TRY_ALLOC(join, logical_new(context->arena, LOGICAL_JOIN, n, 2), context->err);
    memcpy(join->output, node->output, n * sizeof *join->output);
    TRY(distinct_left(context, node, &join->children[0]));
    join->children[1] = node->children[1];
    join->join = node->set == SET_INTERSECT ? JOIN_SEMI : JOIN_ANTI;
    TRY_ALLOC(join->conjuncts, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    for (uint32_t i = 0; i < n; i++) {
        Expr *left, *right, *differs;
        TRY_ALLOC(left, rule_column(context, node->output[i]), context->err);
        TRY_ALLOC(right, rule_column(context, node->inputs[1][i]), context->err);
        TRY(call(context, TRIB_FN_is_distinct_from, left, right, &differs));
        TRY_ALLOC(join->conjuncts[join->nconjuncts++],
                  expr_boolean(context->arena, EXPR_NOT, 1, &differs), context->err);
    }
    *out = join;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- with all duplicates */

/* A side's columns, and whether it is the right one. */
static Status tag_side(RuleContext *context, const LogicalNode *node, uint32_t side,
                       LogicalNode **out) {
    uint32_t n = node->noutput;
    LogicalNode *project;
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, n + 1, 1), context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, n + 1), context->err);
    project->children[0] = node->children[side];
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = node->inputs[side][i];
        TRY_ALLOC(project->exprs[i], rule_column(context, node->inputs[side][i]), context->err);
    }
    Value right = {.type = TYPE(BOOLEAN)};
    right.as.integer = side;
    TRY_ALLOC(project->exprs[n], expr_constant(context->arena, right), context->err);
    TRY(column_new(context, "right", TYPE(BOOLEAN), &project->output[n]));
    *out = project;
    return TRIB_OK;
}

static Status both_sides(RuleContext *context, const LogicalNode *node, LogicalNode **out) {
    uint32_t n = node->noutput;
    LogicalNode *all;
    TRY_ALLOC(all, logical_new(context->arena, LOGICAL_UNION, n + 1, 2), context->err);
    TRY_ALLOC(all->inputs, ARENA_ARRAY(context->arena, ColumnId *, 2), context->err);
    for (uint32_t side = 0; side < 2; side++) {
        TRY(tag_side(context, node, side, &all->children[side]));
        all->inputs[side] = all->children[side]->output;
    }
    for (uint32_t i = 0; i < n; i++) {
        PlanColumn c = *plan_column(context->columns, node->output[i]);
        all->output[i] = plan_column_new(context->columns, c.name, c.type, true);
        if (!all->output[i]) return error_out_of_memory(context->err);
    }
    TRY(column_new(context, "right", TYPE(BOOLEAN), &all->output[n]));
    *out = all;
    return TRIB_OK;
}

/* count(*) of the rows of one side. */
static Status side_count(RuleContext *context, Expr *filter, Expr **out) {
    ResolvedAggregate count;
    TRY(aggregate_resolve(context->arena, STR("count"), 0, NULL, &count, context->err));
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_AGGREGATE, count.result, 0, NULL), context->err);
    (*out)->as.agg.aggregate = count.aggregate;
    (*out)->as.agg.filter = filter;
    expr_derive(*out);
    return TRIB_OK;
}

/* Grouped by all columns; the last two columns are the counts of the sides. */
static Status count_sides(RuleContext *context, const LogicalNode *node, LogicalNode **out) {
    uint32_t n = node->noutput;
    LogicalNode *all, *counts;
    TRY(both_sides(context, node, &all));
    TRY_ALLOC(counts, logical_new(context->arena, LOGICAL_AGGREGATE, n + 2, 1), context->err);
    counts->children[0] = all;
    counts->ngroups = n;
    counts->naggregates = 2;
    TRY_ALLOC(counts->groups, ARENA_ARRAY(context->arena, Expr *, n), context->err);
    TRY_ALLOC(counts->aggregates, ARENA_ARRAY(context->arena, Expr *, 2), context->err);
    for (uint32_t i = 0; i < n; i++) {
        counts->output[i] = node->output[i];
        TRY_ALLOC(counts->groups[i], rule_column(context, all->output[i]), context->err);
    }
    Expr *right, *left;
    TRY_ALLOC(right, rule_column(context, all->output[n]), context->err);
    TRY_ALLOC(left, expr_boolean(context->arena, EXPR_NOT, 1, &right), context->err);
    TRY(side_count(context, left, &counts->aggregates[0]));
    TRY(side_count(context, right, &counts->aggregates[1]));
    TRY(column_new(context, "count_left", TYPE(BIGINT), &counts->output[n]));
    TRY(column_new(context, "count_right", TYPE(BIGINT), &counts->output[n + 1]));
    *out = counts;
    return TRIB_OK;
}

/* How often a row is in the result. */
static Status row_times(RuleContext *context, const LogicalNode *node, Expr *left, Expr *right,
                        Expr **out) {
    if (node->set == SET_EXCEPT) return call(context, TRIB_FN_subtract, left, right, out);
    Expr *parts[3] = {NULL, left, right};
    TRY(call(context, TRIB_FN_lt, left, right, &parts[0]));
    TRY_ALLOC(*out, expr_new(context->arena, EXPR_CASE, TYPE(BIGINT), 3, parts), context->err);
    return TRIB_OK;
}

static Status repeat_rows(RuleContext *context, const LogicalNode *node, LogicalNode **out) {
    uint32_t n = node->noutput;
    LogicalNode *counts, *project, *repeat;
    TRY(count_sides(context, node, &counts));
    TRY_ALLOC(project, logical_new(context->arena, LOGICAL_PROJECT, n + 1, 1), context->err);
    TRY_ALLOC(project->exprs, ARENA_ARRAY(context->arena, Expr *, n + 1), context->err);
    project->children[0] = counts;
    for (uint32_t i = 0; i < n; i++) {
        project->output[i] = node->output[i];
        TRY_ALLOC(project->exprs[i], rule_column(context, node->output[i]), context->err);
    }
    Expr *left, *right;
    TRY_ALLOC(left, rule_column(context, counts->output[n]), context->err);
    TRY_ALLOC(right, rule_column(context, counts->output[n + 1]), context->err);
    TRY(row_times(context, node, left, right, &project->exprs[n]));
    TRY(column_new(context, "times", TYPE(BIGINT), &project->output[n]));
    TRY_ALLOC(repeat, logical_new(context->arena, LOGICAL_REPEAT, n, 1), context->err);
    memcpy(repeat->output, node->output, n * sizeof *repeat->output);
    repeat->children[0] = project;
    repeat->mark = project->output[n];
    *out = repeat;
    return TRIB_OK;
}

Status rule_expand_setops(RuleContext *context, LogicalNode *in, LogicalNode **out) {
    LogicalNode *node;
    TRY(rule_map_children(context, in, rule_expand_setops, &node));
    *out = node;
    if (node->kind != LOGICAL_SETOP) return TRIB_OK;
    return node->all ? repeat_rows(context, node, out) : match_sides(context, node, out);
}
