/*
 * print.h - what the printers of plans share: text of one node, names of columns.
 */
#ifndef TRIB_PLAN_PRINT_H
#define TRIB_PLAN_PRINT_H

#include "engine/plan/estimate.h"
#include "engine/plan/physical.h"

#define PRINT_MAX_DEPTH 2000 /* deeper nodes are left out, and said to be */

typedef struct LogicalPrinter {
    Buf *out;
    const LogicalPlan *plan;
    Arena *arena; /* of names made up while printing */
    RowMemo memo;
    bool *shown; /* by id of a shared plan */
} LogicalPrinter;

/* The shared plan that is printed as if it were the node's child: below the first that reads it; or NULL. */
const LogicalNode *logical_shown_below(LogicalPrinter *self, const LogicalNode *node);
/* The plan that is printed like a child of the node, though it is not one: of a recursive step, of a shared
 * plan's first reader; or NULL. */
const PhysNode *phys_shown_below(const PhysNode *node);

/* The name of a column, with #id where two columns share it. context: the printer. */
const char *logical_name(void *context, ColumnId id);
/* What the node does, on one line without its estimate. */
void logical_node_print(LogicalPrinter *self, const LogicalNode *node);

typedef struct PhysPrinter {
    Buf *out;
    const NodeCounters *counters;
    const PhysNode *input[2]; /* whose columns an ordinal names; [1]: a join's build side */
} PhysPrinter;

/* Behind the node's name: what it does. Begins with a blank, or is empty. */
void phys_node_print(PhysPrinter *self, const PhysNode *node);

extern const char *const phys_names[PHYS_KIND_COUNT];
extern const char *const join_names[];    /* by JoinKind */
extern const char *const verdict_names[]; /* by TribVerdictKind */

#endif
