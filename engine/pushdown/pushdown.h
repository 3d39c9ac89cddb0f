/*
 * pushdown.h - what a source is asked to do: capability, offer, residual.
 */
#ifndef TRIB_PUSHDOWN_PUSHDOWN_H
#define TRIB_PUSHDOWN_PUSHDOWN_H

#include "engine/plan/logical.h"

typedef struct PushdownContext {
    TribPushdownMode mode; /* OFF: only columns are offered */
    SourceCall call;
    const EvalSession *session;
    bool verify; /* run each piece both ways and compare (op_verify) */
} PushdownContext;

/*
 * Replaces each SCAN (with the FILTER, ORDER BY, LIMIT right above it) by what its source accepted plus
 * the residual: conjuncts SUPERSET or NONE stay in a FILTER above, an order or limit that was not taken
 * stays. Conjuncts that may raise, are volatile, or use types the ABI cannot carry are never offered.
 * Column pruning must have happened. The rule `push_down` of optimise/ calls it.
 */
Status pushdown_apply(const PushdownContext *context, LogicalPlan *plan, Error *err) WARN_UNUSED;

#endif
