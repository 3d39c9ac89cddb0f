/*
 * lower_shared.c - plans beside the query's own: shared ones and the steps of recursive queries.
 *
 * A shared plan is lowered once, before all that read it; each reader is a leaf over its rows. The step of
 * a recursive query becomes a physical plan of its own, run once per round; its working table is a leaf
 * that is found by the recursion's number, since steps may stand in steps. One thread; arena.
 */
#include "engine/plan/lower.h"

Status lower_shared_plans(Lowering *self) {
    const LogicalPlan *plan = self->plan;
    uint32_t *order, count;
    if (plan->nshared == 0) return TRIB_OK;
    TRY_ALLOC(order, logical_shared_order(self->arena, plan, &count), self->err);
    TRY_ALLOC(self->shared, ARENA_ARRAY(self->arena, Lowered, plan->nshared), self->err);
    TRY_ALLOC(self->shared_shown, ARENA_ARRAY(self->arena, bool, plan->nshared), self->err);
    TRY_ALLOC(self->shared_nodes, ARENA_ARRAY(self->arena, PhysNode *, count), self->err);
    for (uint32_t i = 0; i < count; i++) {
        Lowered root, *shared = &self->shared[order[i]];
        TRY(lower_node(self, plan->shared[order[i]]->root, &root));
        TRY(lowered_same(self, PHYS_SHARED, &root, shared));
        shared->node->rows = root.node->rows;
        self->shared_nodes[self->nshared++] = shared->node;
    }
    return TRIB_OK;
}

/* Reads the whole rows; a projection above takes the columns that are wanted. */
Status lower_shared(Lowering *self, const LogicalNode *node, Lowered *out) {
    uint32_t index = node->shared->id - 1;
    const Lowered *shared = &self->shared[index];
    Lowered read;
    TRY(lowered_new(self, PHYS_SHARED_READ, shared->node->ncolumns, 0, &read));
    TRY(lowered_set_columns(self, &read, shared->ids));
    read.node->rows = shared->node->rows;
    read.node->as.read.from = shared->node;
    read.node->as.read.first = !self->shared_shown[index];
    self->shared_shown[index] = true;
    ColumnId *from;
    TRY_ALLOC(from, ARENA_ARRAY(self->arena, ColumnId, node->noutput), self->err);
    for (uint32_t i = 0; i < node->noutput; i++)
        from[i] = node->shared->ids[node->table_columns[i]];
    return lowered_reorder(self, &read, node->noutput, from, node->output, out);
}

/* ---------------------------------------------------------------- recursive queries */

typedef struct Recursion {
    const struct Recursion *outer;
    uint32_t id;
    const PhysNode *node;
} Recursion;

Status lowering_finish(Lowering *self, const Lowered *root, uint32_t count, const ColumnId *order,
                       PhysicalPlan **out) {
    Lowered ordered, result;
    TRY(lowered_reorder(self, root, count, order, order, &ordered));
    TRY(lowered_same(self, PHYS_RESULT, &ordered, &result));
    result.node->rows = ordered.node->rows;
    TRY_ALLOC(*out, ARENA_NEW(self->arena, PhysicalPlan), self->err);
    **out = (PhysicalPlan){.arena = self->arena,
                           .root = result.node,
                           .nnodes = self->nnodes,
                           .nodes = self->nodes,
                           .nids = self->nids};
    return TRIB_OK;
}

/* The step becomes a plan of its own: its nodes are not among those of the plan around it. */
static Status lower_step(Lowering *self, const LogicalNode *node, const PhysNode *recursive,
                         PhysicalPlan **out) {
    Lowering outer = *self;
    Recursion recursion = {self->recursions, node->recursion, recursive};
    self->recursions = &recursion;
    self->nnodes = self->capacity = 0;
    self->nodes = NULL;
    Lowered step;
    TRY(lower_node(self, node->children[1], &step));
    TRY(lowering_finish(self, &step, node->noutput, node->inputs[1], out));
    self->recursions = outer.recursions;
    self->nnodes = outer.nnodes;
    self->capacity = outer.capacity;
    self->nodes = outer.nodes;
    return TRIB_OK;
}

Status lower_recursive(Lowering *self, const LogicalNode *node, Lowered *out) {
    Lowered child, first;
    TRY(lower_node(self, node->children[0], &child));
    TRY(lowered_reorder(self, &child, node->noutput, node->inputs[0], node->output, &first));
    TRY(lowered_over(self, PHYS_RECURSIVE, node->noutput, &first, out));
    TRY(lowered_set_columns(self, out, node->output));
    out->node->as.recursive.distinct = node->distinct;
    return lower_step(self, node, out->node, &out->node->as.recursive.step);
}

/* All columns of the table, in its order; a projection above takes those that are wanted. */
Status lower_working(Lowering *self, const LogicalNode *node, Lowered *out) {
    const Recursion *r = self->recursions;
    while (r && r->id != node->recursion) r = r->outer;
    if (!r)
        return error_set(self->err, ERR_GENERAL,
                         "internal error: a recursive reference stands outside of its step");
    Lowered table;
    TRY(lowered_new(self, PHYS_WORKING, r->node->ncolumns, 0, &table));
    table.node->as.working.recursion = r->node;
    table.node->as.working.seen = node->distinct;
    for (uint32_t i = 0; i < r->node->ncolumns; i++) {
        table.node->types[i] = r->node->types[i];
        table.node->names[i] = r->node->names[i];
    }
    TRY(lowered_over(self, PHYS_PROJECT, node->noutput, &table, out));
    TRY(lowered_set_columns(self, out, node->output));
    TRY_ALLOC(out->node->as.project.exprs, ARENA_ARRAY(self->arena, Expr *, node->noutput),
              self->err);
    for (uint32_t i = 0; i < node->noutput; i++) {
        uint32_t from = node->table_columns[i];
        Expr *column;
        TRY_ALLOC(column, expr_column(self->arena, 0, table.node->types[from]), self->err);
        column->as.ordinal = from;
        out->node->as.project.exprs[i] = column;
    }
    return TRIB_OK;
}
