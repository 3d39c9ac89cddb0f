/*
 * estimate.h - how many rows a plan's nodes give, how many different values an expression has, which
 * share of rows a condition lets through.
 *
 * All numbers are guesses from the statistics that sources give with their tables (rows, distinct
 * values, share of NULLs, smallest and largest value) and from fixed shares where they give none. They
 * choose between plans of equal results. One thread.
 */
#ifndef TRIB_PLAN_ESTIMATE_H
#define TRIB_PLAN_ESTIMATE_H

#include "engine/plan/logical.h"

/* Estimates of nodes are made once, while the plan does not change. */
typedef struct RowMemo {
    const PlanColumns *columns;
    Map known; /* by the node's address */
} RowMemo;

void row_memo_init(RowMemo *self, Arena *arena, const PlanColumns *columns);
/* Rows that the node puts out, from its own `rows` if that is set. */
double row_memo_get(RowMemo *self, const LogicalNode *node);

/* Different values of an expression over the whole table that its column comes from; < 0 unknown. */
double estimate_distinct(const PlanColumns *columns, const Expr *e);
/* Rows of the table that the expression's only column comes from, before any condition; < 0 unknown. */
double estimate_table_rows(const PlanColumns *columns, const Expr *e);
/* The share of rows for which all the conjuncts are true: 0 .. 1. */
double estimate_selectivity(const PlanColumns *columns, uint32_t count, Expr *const *conjuncts);

/*
 * Rows of `left` joined with `right` on equalities between them, `left_keys[i] = right_keys[i]`: each
 * row finds as many partners as the other side has rows per different value of the key.
 */
double estimate_matches(const PlanColumns *columns, double left, double right, uint32_t nkeys,
                        Expr *const *left_keys, Expr *const *right_keys);
/* Rows of the join over children that give so many rows each. */
double estimate_join(const PlanColumns *columns, const LogicalNode *node, double left,
                     double right);

#endif
