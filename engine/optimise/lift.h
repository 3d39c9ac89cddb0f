/*
 * lift.h - taking the columns of an enclosing query out of a sub-query's plan.
 *
 * A sub-query q(d) depends on the outer row d. Lifting it gives a plan without d and conditions over that
 * plan's columns and d, such that for every d
 *
 *     q(d) = the rows of `node` for which all `conditions` hold
 *
 * and a join with the outer rows on these conditions computes it for all d at once. Columns of q that are
 * computed from d itself stand in `computed` and are evaluated above that join.
 *
 * Conditions rise through filters, projections and joins unchanged. Where rows are combined (grouping,
 * DISTINCT, limits, set operations) only *keys* may rise, conditions f(d) = g(row): the rows are combined
 * per g then. Before any other condition the plan is joined with the domain, the distinct values that the
 * used columns of d take (lift_domain.c); what is left of the conditions then are keys. So no sub-query is
 * ever run once per outer row.
 *
 * A grouping without GROUP BY gives a row even where no row matches: `fills`. The join with the outer rows
 * keeps those without a match, `computed` says what they get (NULL, or 0 for counts).
 *
 * What may raise is not evaluated for rows that no outer row asks for: it rises above the join (filters
 * into the conditions, projections into `computed`) or the domain is joined below it. Overflow of a sum
 * alone does not count: groups are summed whether an outer row asks for them or not.
 */
#ifndef TRIB_OPTIMISE_LIFT_H
#define TRIB_OPTIMISE_LIFT_H

#include "engine/optimise/rule.h"

typedef struct Lifting {
    RuleContext *context;
    LogicalNode *input;   /* the outer rows; lifting may mark a part of them as shared */
    uint64_t *outer;      /* by ColumnId: its columns */
    uint32_t outer_count; /* ids known to `outer` */
    Expr **computed; /* by ColumnId: over columns below and EXPR_OUTER; NULL = a plain column */
    uint32_t computed_count;
    uint32_t line, column; /* of the sub-query in the SQL text, for messages; 0 = none */
} Lifting;

typedef struct Lifted {
    LogicalNode *node;
    ExprList conditions;
    bool correlated; /* some column of the outer rows was used: node is not what it was */
    bool fills;      /* exactly one row for each outer row */
} Lifted;

Status lifting_init(RuleContext *context, LogicalNode *input, Lifting *out);
/* Lifts a plan whose own sub-queries are planned already. Kinds of nodes that cannot be lifted are an error
 * if a column of the outer rows is used at or below them. */
Status lift(Lifting *self, LogicalNode *node, Lifted *out);
/* The expression of a column of the lifted plan: the column, or what is computed above the join. */
Status lifted_column(Lifting *self, ColumnId id, Expr **out);
/* The same for a whole expression over the sub-query's columns. */
Status lift_expr(Lifting *self, const Expr *e, Expr **out);
/* Columns of the outer rows become plain columns: above or in the join with them. */
Status lift_settle(Lifting *self, const Expr *e, Expr **out);
Status lift_settle_list(Lifting *self, const ExprList *list, ExprList *out);
/* Makes the plan `fills`: its only row or NULLs; more than one raise 21000 where the value is used. */
Status lift_single_row(Lifting *self, uint32_t noutput, const ColumnId *output, Lifted *lifted);

/* ---- between the files of lifting */

/* A condition f(d) = g(row) or f(d) IS NOT DISTINCT FROM g(row): parts of a copy. */
typedef struct LiftKey {
    Expr *outer, *inner;
    bool null_safe;
} LiftKey;
bool lift_key(const Lifting *self, const Expr *condition, LiftKey *out);
/* The same condition over another inner expression. */
Status lift_key_over(Lifting *self, const LiftKey *key, Expr *inner, Expr **out);
/* A key whose outer value one of `keys` has too makes their inner values meet: a condition of the plan itself,
 * and the key need not rise; *met: it did. */
Status lift_meet(Lifting *self, const ExprList *keys, const Expr *condition, ExprList *conditions,
                 bool *met);
/* Does it speak of the outer row only, or is it a key? */
bool lift_rises(const Lifting *self, const Expr *condition);
bool lift_all_rise(const Lifting *self, const ExprList *conditions);
bool lift_is_correlated(const Lifting *self,
                        const Expr *e); /* uses the outer row or a computed column */
bool lift_uses_outer(const Lifting *self, const Expr *e);
Status lift_compute(Lifting *self, ColumnId id, Expr *e); /* sets computed[id] */
/* Outer columns that keys make equal to a column of the plan are replaced by it. */
Status lift_replace_equal(Lifting *self, const Lifted *lifted, const Expr *e, Expr **out);
/* The columns that conditions and the computed ones among `output` need, besides `output`'s plain ones:
 * a list of distinct ids that the plan must put out. */
Status lift_needed(Lifting *self, const ExprList *conditions, uint32_t noutput,
                   const ColumnId *output, uint32_t *count, ColumnId **ids);

/* lift_domain.c: joins the plan with the domain of the outer columns that its conditions, computed columns
 * and `more` use. Afterwards it has neither computed columns (of `output`) nor other conditions than keys,
 * and does not fill. `force`: even without any condition, for these outer columns. */
Status lift_bind(Lifting *self, uint32_t noutput, const ColumnId *output, const ExprList *more,
                 Lifted *lifted);
/* Each key's inner part becomes a column of the plan; the conditions are those over these columns. */
Status lift_key_columns(Lifting *self, Lifted *lifted, uint32_t *count, ColumnId **ids);
/* lift_join.c, lift_group.c, lift_window.c */
Status lift_window(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_join(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_aggregate(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_limit(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_union(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_values(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_single_row_node(Lifting *self, LogicalNode *node, Lifted *out);
Status lift_refuse(Lifting *self, const LogicalNode *node, const char *what);

#endif
