/*
 * offer.h - bound expressions as the flat arrays of the connectors' ABI.
 */
#ifndef TRIB_PUSHDOWN_OFFER_H
#define TRIB_PUSHDOWN_OFFER_H

#include "engine/plan/logical.h"

/* Growing arrays of an offer under construction. */
typedef struct OfferBuilder {
    Arena *arena;
    const LogicalNode *scan; /* whose columns expressions speak of */
    uint32_t nnodes, node_capacity;
    TribNode *nodes;
    uint32_t nvalues, value_capacity;
    TribValue *values;
} OfferBuilder;

/* May this expression be offered at all? Not if it may raise, is volatile, or is of a kind that the ABI
 * does not carry; *reason then says so in a few words. */
bool offer_expressible(const Expr *e, const LogicalNode *scan, const char **reason);
/* The same for a new value of a column, which may raise: the nodes that do say so. */
bool offer_assignable(const Expr *e, const LogicalNode *scan, const char **reason);
/* Adds the expression; *node is its root. It must be expressible, or assignable. */
Status offer_add(OfferBuilder *self, const Expr *e, uint32_t *node, Error *err) WARN_UNUSED;

#endif
