/*
 * offer.c - see offer.h. Children of a node stand next to each other, so a node's children are placed
 * (empty) before any of them is filled in.
 */
#include "engine/pushdown/offer.h"

#define OFFER_MAX_NODES 1000000

static int64_t scan_column(const LogicalNode *scan, ColumnId id) {
    for (uint32_t i = 0; i < scan->noutput; i++) {
        if (scan->output[i] == id) return scan->table_columns[i];
    }
    return -1;
}

bool offer_expressible(const Expr *e, const LogicalNode *scan, const char **reason) {
    if (!e->may_raise) return offer_assignable(e, scan, reason);
    *reason = "may raise an error";
    return false;
}

bool offer_assignable(const Expr *e, const LogicalNode *scan, const char **reason) {
    if (e->is_volatile) {
        *reason = "gives another value at each call";
        return false;
    }
    if (type_is_nested(e->type)) {
        *reason = "nested type";
        return false;
    }
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN:
        *reason = "not a column of this table";
        return scan_column(scan, e->as.column_id) >= 0;
    case EXPR_CONSTANT: return true;
    case EXPR_CALL:
    case EXPR_CAST:
    case EXPR_AND:
    case EXPR_OR:
    case EXPR_NOT:
    case EXPR_IS_NULL:
    case EXPR_CASE:
    case EXPR_COALESCE:
    case EXPR_NULLIF:
    case EXPR_IN: break;
    default: *reason = "not expressible to a source"; return false;
    }
    uint32_t nargs = e->kind == EXPR_NULLIF ? 2 : e->nargs;
    for (uint32_t i = 0; i < nargs; i++) {
        if (!offer_assignable(e->args[i], scan, reason)) return false;
    }
    return true;
}

/* Room for `count` nodes in a row; *first is their index. */
static Status place(OfferBuilder *self, uint32_t count, uint32_t *first, Error *err) {
    if (count > OFFER_MAX_NODES - self->nnodes)
        return error_set(err, ERR_LIMIT, "the condition has too many parts");
    if (self->nnodes + count > self->node_capacity) {
        uint32_t capacity = self->node_capacity ? self->node_capacity : 32;
        while (capacity < self->nnodes + count) capacity *= 2;
        TribNode *nodes;
        TRY_ALLOC(nodes, ARENA_ARRAY(self->arena, TribNode, capacity), err);
        if (self->nnodes) memcpy(nodes, self->nodes, self->nnodes * sizeof *nodes);
        self->nodes = nodes;
        self->node_capacity = capacity;
    }
    *first = self->nnodes;
    self->nnodes += count;
    return TRIB_OK;
}

static Status add_value(OfferBuilder *self, const Value *value, uint32_t *index, Error *err) {
    if (self->nvalues == self->value_capacity) {
        uint32_t capacity = self->value_capacity ? self->value_capacity * 2 : 16;
        TribValue *values;
        TRY_ALLOC(values, ARENA_ARRAY(self->arena, TribValue, capacity), err);
        if (self->nvalues) memcpy(values, self->values, self->nvalues * sizeof *values);
        self->values = values;
        self->value_capacity = capacity;
    }
    *index = self->nvalues;
    self->values[self->nvalues++] = *value;
    return TRIB_OK;
}

static uint16_t operator_id(const Expr *e) {
    switch ((ExprKind)e->kind) {
    case EXPR_CAST: return e->try_cast ? TRIB_FN_try_cast : TRIB_FN_cast;
    case EXPR_AND: return TRIB_FN_and;
    case EXPR_OR: return TRIB_FN_or;
    case EXPR_NOT: return TRIB_FN_not;
    case EXPR_IS_NULL: return e->negated ? TRIB_FN_is_not_null : TRIB_FN_is_null;
    case EXPR_CASE: return TRIB_FN_case;
    case EXPR_COALESCE: return TRIB_FN_coalesce;
    case EXPR_NULLIF: return TRIB_FN_nullif;
    case EXPR_IN: return TRIB_FN_in;
    default: return e->as.function->id;
    }
}

static Status fill(OfferBuilder *self, const Expr *e, uint32_t at, Error *err);

static Status fill_call(OfferBuilder *self, const Expr *e, uint32_t at, Error *err) {
    uint32_t first, nargs = e->kind == EXPR_NULLIF ? 2 : e->nargs;
    TRY(place(self, nargs, &first, err));
    self->nodes[at] = (TribNode){.kind = TRIB_NODE_CALL,
                                 .op = operator_id(e),
                                 .type = e->type,
                                 .first = first,
                                 .count = nargs,
                                 .may_raise = expr_raises_itself(e)};
    for (uint32_t i = 0; i < nargs; i++) TRY(fill(self, e->args[i], first + i, err));
    return TRIB_OK;
}

static Status fill(OfferBuilder *self, const Expr *e, uint32_t at, Error *err) {
    if (e->kind == EXPR_COLUMN) {
        self->nodes[at] = (TribNode){.kind = TRIB_NODE_COLUMN,
                                     .type = e->type,
                                     .ref = (uint32_t)scan_column(self->scan, e->as.column_id)};
        return TRIB_OK;
    }
    if (e->kind == EXPR_CONSTANT) {
        uint32_t index;
        TRY(add_value(self, &e->as.value, &index, err));
        self->nodes[at] = (TribNode){.kind = TRIB_NODE_LITERAL, .type = e->type, .ref = index};
        return TRIB_OK;
    }
    if (e->kind == EXPR_IN && e->negated) { /* NOT (x IN (...)) */
        uint32_t inner;
        TRY(place(self, 1, &inner, err));
        self->nodes[at] = (TribNode){
            .kind = TRIB_NODE_CALL, .op = TRIB_FN_not, .type = e->type, .first = inner, .count = 1};
        at = inner;
    }
    return fill_call(self, e, at, err);
}

Status offer_add(OfferBuilder *self, const Expr *e, uint32_t *node, Error *err) {
    TRY(place(self, 1, node, err));
    return fill(self, e, *node, err);
}
