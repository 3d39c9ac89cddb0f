/*
 * logical.c - nodes and columns of logical plans.
 */
#include "engine/plan/logical.h"

ColumnId plan_column_new(PlanColumns *self, Str name, Type type, bool nullable) {
    if (self->count + 1 >= self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 64;
        PlanColumn *columns = ARENA_ARRAY(self->arena, PlanColumn, capacity);
        if (!columns) return 0;
        if (self->count) memcpy(columns, self->columns, (self->count + 1) * sizeof *columns);
        self->columns = columns;
        self->capacity = capacity;
    }
    ColumnId id = ++self->count;
    self->columns[id] = (PlanColumn){.name = name, .type = type, .nullable = nullable};
    return id;
}

const PlanColumn *plan_column(const PlanColumns *self, ColumnId id) {
    return &self->columns[id];
}

LogicalNode *logical_new(Arena *arena, LogicalKind kind, uint32_t noutput, uint32_t nchildren) {
    LogicalNode *node = ARENA_NEW(arena, LogicalNode);
    if (!node) return NULL;
    node->kind = kind;
    node->rows = -1;
    node->noutput = noutput;
    node->output = ARENA_ARRAY(arena, ColumnId, noutput);
    node->nchildren = nchildren;
    node->children = ARENA_ARRAY(arena, LogicalNode *, nchildren);
    return node->output && node->children ? node : NULL;
}

LogicalNode *logical_copy(Arena *arena, const LogicalNode *node) {
    LogicalNode *copy = ARENA_NEW(arena, LogicalNode);
    if (!copy) return NULL;
    *copy = *node;
    copy->children = ARENA_ARRAY(arena, LogicalNode *, node->nchildren);
    if (!copy->children) return NULL;
    if (node->nchildren)
        memcpy(copy->children, node->children, node->nchildren * sizeof *copy->children);
    return copy;
}

bool logical_has_output(const LogicalNode *node, ColumnId id) {
    for (uint32_t i = 0; i < node->noutput; i++) {
        if (node->output[i] == id) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- shared plans */

typedef struct SharedOrder {
    bool *seen;
    uint32_t *order, count;
} SharedOrder;

static void order_walk(SharedOrder *self, const LogicalNode *node) {
    if (node->kind == LOGICAL_SHARED && !self->seen[node->shared->id - 1]) {
        self->seen[node->shared->id - 1] = true;
        order_walk(self, node->shared->root);
        self->order[self->count++] = node->shared->id - 1;
    }
    for (uint32_t i = 0; i < node->nchildren; i++) order_walk(self, node->children[i]);
}

uint32_t *logical_shared_order(Arena *arena, const LogicalPlan *plan, uint32_t *count) {
    SharedOrder order = {.seen = ARENA_ARRAY(arena, bool, plan->nshared + 1),
                         .order = ARENA_ARRAY(arena, uint32_t, plan->nshared + 1)};
    if (!order.seen || !order.order) return NULL;
    order_walk(&order, plan->root);
    *count = order.count;
    return order.order;
}
