/*
 * rule.h - what the files of optimise/ share: the shape of a rule, walking plans and expressions.
 *
 * A rule gets a plan and returns a plan; it never changes a node that it did not make. Depth is bounded
 * by the parser's limit on nesting.
 */
#ifndef TRIB_OPTIMISE_RULE_H
#define TRIB_OPTIMISE_RULE_H

#include "engine/optimise/optimise.h"

typedef struct RuleContext {
    Arena *arena;
    PlanColumns *columns; /* rules may add columns */
    const OptimiseContext *options;
    LogicalPlan *plan;
    Expr **map; /* push_filters.c */
    uint32_t map_count;
    bool *inlined; /* inline_ctes.c: by position in plan->ctes */
    CloneMap clones;
    Error *err;
} RuleContext;

typedef Status (*Rule)(RuleContext *context, LogicalNode *in, LogicalNode **out);

#define RULE(name, help) \
    Status rule_##name(RuleContext *context, LogicalNode *in, LogicalNode **out);
#include "engine/optimise/rules.def"

/* Calls map on each child, then returns a copy of the node with the new children (the node itself if
 * none changed). */
Status rule_map_children(RuleContext *context, LogicalNode *node, Rule map, LogicalNode **out);
typedef Status (*ExprMap)(RuleContext *context, void *state, Expr *e, Expr **out);
/* A copy of the node with every expression mapped (the node itself if none changed). */
Status rule_map_exprs(RuleContext *context, LogicalNode *node, ExprMap map, void *state,
                      LogicalNode **out);
/* A copy of an expression over other arguments. */
Status rule_expr_over(RuleContext *context, const Expr *e, Expr *const *args, Expr **out);
/* A copy in which columns that have an entry in map (indexed by ColumnId) are replaced. */
Status rule_substitute(RuleContext *context, const Expr *e, Expr *const *map, Expr **out);
/* A bitmap over column ids, zeroed. */
Status rule_columns_new(RuleContext *context, uint64_t **out);
/* Are all columns that e uses among the node's output? */
Status rule_uses_only(RuleContext *context, const Expr *e, const LogicalNode *node, bool *out);
/* Adds the conjuncts of e (AND flattened) to a growing list. */
typedef struct ExprList {
    uint32_t count, capacity;
    Expr **items;
} ExprList;
Status rule_list_add(RuleContext *context, ExprList *list, Expr *e);
Status rule_list_conjuncts(RuleContext *context, ExprList *list, Expr *e);
/* FILTER over a node, or the node itself if there is nothing to filter. */
Status rule_filter(RuleContext *context, LogicalNode *child, const ExprList *conjuncts,
                   LogicalNode **out);
/* A PROJECT that passes on the columns of `child` named in output. */
Status rule_project_columns(RuleContext *context, LogicalNode *child, uint32_t count,
                            const ColumnId *output, LogicalNode **out);
/* VALUES without rows. */
Status rule_empty(RuleContext *context, const LogicalNode *like, LogicalNode **out);
/* Adds a shared plan to the plan; gives it its id. */
Status rule_add_shared(RuleContext *context, SharedPlan *shared);
Expr *rule_column(RuleContext *context, ColumnId id);

#endif
