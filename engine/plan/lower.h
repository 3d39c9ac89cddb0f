/*
 * lower.h - what the files that lower plans share: nodes that are being made, and where expressions find
 * their columns. Private to engine/plan/lower*.c; one thread, everything in the arena of the plan.
 */
#ifndef TRIB_PLAN_LOWER_H
#define TRIB_PLAN_LOWER_H

#include "engine/plan/estimate.h"
#include "engine/plan/physical.h"

/* A node with the ids of its columns, in the order of its columns. */
typedef struct Lowered {
    PhysNode *node;
    ColumnId *ids; /* [node->ncolumns] */
} Lowered;

/* Where a column stands in the inputs that were opened last. Entries of older generations mean: not there. */
typedef struct Place {
    uint32_t generation, ordinal;
} Place;

typedef struct Lowering {
    Arena *arena;
    const LogicalPlan *plan;
    const EvalSession *session;
    bool runtime_filters;
    RowMemo memo;
    const char **names;  /* for EXPLAIN, by ColumnId; each made once */
    Place *places[3];    /* by InputsSlot; each by ColumnId */
    uint32_t generation; /* of the inputs opened last */
    uint32_t nids;
    uint32_t nnodes, capacity; /* of the plan that is being made */
    PhysNode **nodes;
    Lowered *shared; /* [plan->nshared] SHARED */
    bool *shared_shown;
    uint32_t nshared;
    PhysNode **shared_nodes;
    const struct Recursion *recursions; /* whose steps are being lowered, the innermost first */
    Error *err;
} Lowering;

/*
 * Where expressions find their columns: one or two inputs side by side. The arrays are shared by all
 * inputs of a slot, so that opening them costs their columns only: of each slot the last ones are valid.
 */
typedef struct Inputs {
    Lowering *lowering;
    const Place *places; /* by ColumnId */
    uint32_t generation;
    ColumnId missing;
    bool exhausted; /* memory, while columns were replaced */
} Inputs;

typedef enum { INPUTS_ONLY, INPUTS_BUILD, INPUTS_BOTH } InputsSlot;

/* lower.c: any node with all that is below it. */
Status lower_node(Lowering *self, const LogicalNode *node, Lowered *out) WARN_UNUSED;

/* lower_join.c */
Status lower_join(Lowering *self, const LogicalNode *node, Lowered *out) WARN_UNUSED;

/* lower_shared.c: plans beside the query's own. All shared ones are lowered before the plan that reads them. */
Status lower_shared_plans(Lowering *self) WARN_UNUSED;
Status lower_shared(Lowering *self, const LogicalNode *node, Lowered *out) WARN_UNUSED;
Status lower_recursive(Lowering *self, const LogicalNode *node, Lowered *out) WARN_UNUSED;
Status lower_working(Lowering *self, const LogicalNode *node, Lowered *out) WARN_UNUSED;
/* Puts the lowered root into an order and makes a plan of the nodes that there are. */
Status lowering_finish(Lowering *self, const Lowered *root, uint32_t count, const ColumnId *order,
                       PhysicalPlan **out) WARN_UNUSED;

/* lower_inputs.c: a node whose columns and children are still to be filled in. */
Status lowered_new(Lowering *self, PhysKind kind, uint32_t ncolumns, uint32_t nchildren,
                   Lowered *out) WARN_UNUSED;
/* A node with one child. */
Status lowered_over(Lowering *self, PhysKind kind, uint32_t ncolumns, const Lowered *child,
                    Lowered *out) WARN_UNUSED;
/* The child's columns passed on as they are. */
Status lowered_same(Lowering *self, PhysKind kind, const Lowered *child, Lowered *out) WARN_UNUSED;
/* Fills in one output column, or all of them, from their plan-wide descriptions. */
Status lowered_set_column(Lowering *self, Lowered *lowered, uint32_t i, ColumnId id) WARN_UNUSED;
Status lowered_set_columns(Lowering *self, Lowered *lowered, const ColumnId *ids) WARN_UNUSED;
/* Puts columns into a given order; the output's ids, `as`, may be others than the input's, `from`. */
Status lowered_reorder(Lowering *self, const Lowered *child, uint32_t count, const ColumnId *from,
                       const ColumnId *as, Lowered *out) WARN_UNUSED;

/* second: may be NULL. Valid until the slot is opened again. */
Status inputs_open(Lowering *self, InputsSlot slot, const Lowered *first, const Lowered *second,
                   Inputs *out) WARN_UNUSED;
/* UINT32_MAX: not among them. */
uint32_t inputs_ordinal(const Inputs *self, ColumnId id);
/* Do all columns of the expression come from these inputs? *any: there are some. */
bool inputs_cover(const Inputs *self, const Expr *e, bool *any);
/* A copy whose columns are ordinals. */
Status inputs_lower(Inputs *self, const Expr *e, Expr **out) WARN_UNUSED;
Status inputs_lower_all(Inputs *self, uint32_t count, Expr *const *exprs, Expr ***out) WARN_UNUSED;

#endif
