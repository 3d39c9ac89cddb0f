/*
 * lower_inputs.c - nodes of a physical plan under construction, and their expressions' columns.
 *
 * Every expression of a node is copied with the ids of its columns replaced by their ordinals in the
 * node's input. An array by id holds the places, stamped with a generation, so that opening the inputs of
 * a node costs as many steps as they have columns, however many the whole plan has. One thread; arena.
 */
#include "engine/plan/lower.h"

Status lowered_new(Lowering *self, PhysKind kind, uint32_t ncolumns, uint32_t nchildren,
                   Lowered *out) {
    if (self->nnodes == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        PhysNode **nodes;
        TRY_ALLOC(nodes, ARENA_ARRAY(self->arena, PhysNode *, capacity), self->err);
        if (self->nnodes) memcpy(nodes, self->nodes, self->nnodes * sizeof *nodes);
        self->nodes = nodes;
        self->capacity = capacity;
    }
    PhysNode *node;
    TRY_ALLOC(node, ARENA_NEW(self->arena, PhysNode), self->err);
    node->kind = kind;
    node->id = self->nids++;
    node->rows = -1;
    node->ncolumns = ncolumns;
    node->nchildren = nchildren;
    TRY_ALLOC(node->types, ARENA_ARRAY(self->arena, Type, ncolumns), self->err);
    TRY_ALLOC(node->names, ARENA_ARRAY(self->arena, const char *, ncolumns), self->err);
    TRY_ALLOC(node->children, ARENA_ARRAY(self->arena, PhysNode *, nchildren), self->err);
    TRY_ALLOC(out->ids, ARENA_ARRAY(self->arena, ColumnId, ncolumns), self->err);
    out->node = node;
    self->nodes[self->nnodes++] = node;
    return TRIB_OK;
}

Status lowered_set_column(Lowering *self, Lowered *lowered, uint32_t i, ColumnId id) {
    const PlanColumn *column = plan_column(&self->plan->columns, id);
    lowered->ids[i] = id;
    lowered->node->types[i] = column->type;
    if (!self->names[id]) {
        TRY_ALLOC(self->names[id],
                  column->name.len ? str_dup(self->arena, column->name)
                                   : arena_printf(self->arena, "#%u", id),
                  self->err);
    }
    lowered->node->names[i] = self->names[id];
    return TRIB_OK;
}

Status lowered_set_columns(Lowering *self, Lowered *lowered, const ColumnId *ids) {
    for (uint32_t i = 0; i < lowered->node->ncolumns; i++)
        TRY(lowered_set_column(self, lowered, i, ids[i]));
    return TRIB_OK;
}

Status inputs_open(Lowering *self, InputsSlot slot, const Lowered *first, const Lowered *second,
                   Inputs *out) {
    if (!self->places[slot])
        TRY_ALLOC(self->places[slot],
                  ARENA_ARRAY(self->arena, Place, self->plan->columns.count + 1), self->err);
    Place *places = self->places[slot];
    *out = (Inputs){.lowering = self, .places = places, .generation = ++self->generation};
    for (uint32_t i = 0; i < first->node->ncolumns; i++)
        places[first->ids[i]] = (Place){out->generation, i};
    for (uint32_t i = 0; second && i < second->node->ncolumns; i++)
        places[second->ids[i]] = (Place){out->generation, first->node->ncolumns + i};
    return TRIB_OK;
}

uint32_t inputs_ordinal(const Inputs *self, ColumnId id) {
    Place place = self->places[id];
    return place.generation == self->generation ? place.ordinal : UINT32_MAX;
}

bool inputs_cover(const Inputs *self, const Expr *e, bool *any) {
    if (e->kind == EXPR_COLUMN) {
        *any = true;
        return inputs_ordinal(self, e->as.column_id) != UINT32_MAX;
    }
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!inputs_cover(self, e->args[i], any)) return false;
    }
    return e->kind != EXPR_AGGREGATE || !e->as.agg.filter ||
           inputs_cover(self, e->as.agg.filter, any);
}

static Expr *replace_column(void *context, const Expr *e) {
    Inputs *inputs = context;
    if (e->kind != EXPR_COLUMN) return NULL;
    uint32_t ordinal = inputs_ordinal(inputs, e->as.column_id);
    if (ordinal == UINT32_MAX) inputs->missing = e->as.column_id;
    Expr *copy = ARENA_NEW(inputs->lowering->arena, Expr);
    if (!copy) {
        inputs->exhausted = true; /* NULL alone would keep the column's id as an ordinal */
        return NULL;
    }
    *copy = *e;
    copy->as.ordinal = ordinal;
    return copy;
}

Status inputs_lower(Inputs *self, const Expr *e, Expr **out) {
    Lowering *lowering = self->lowering;
    TRY(expr_rewrite(lowering->arena, e, replace_column, self, out, lowering->err));
    if (self->exhausted) return error_out_of_memory(lowering->err);
    if (!self->missing) return TRIB_OK;
    const PlanColumn *column = plan_column(&lowering->plan->columns, self->missing);
    return error_set(lowering->err, ERR_GENERAL,
                     "internal error: column '" STR_FORMAT
                     "' (#%u) is missing from an operator's input",
                     STR_ARGS(column->name), self->missing);
}

Status inputs_lower_all(Inputs *self, uint32_t count, Expr *const *exprs, Expr ***out) {
    Lowering *lowering = self->lowering;
    TRY_ALLOC(*out, ARENA_ARRAY(lowering->arena, Expr *, count), lowering->err);
    for (uint32_t i = 0; i < count; i++) TRY(inputs_lower(self, exprs[i], &(*out)[i]));
    return TRIB_OK;
}

Status lowered_over(Lowering *self, PhysKind kind, uint32_t ncolumns, const Lowered *child,
                    Lowered *out) {
    TRY(lowered_new(self, kind, ncolumns, 1, out));
    out->node->children[0] = child->node;
    return TRIB_OK;
}

Status lowered_same(Lowering *self, PhysKind kind, const Lowered *child, Lowered *out) {
    TRY(lowered_over(self, kind, child->node->ncolumns, child, out));
    return lowered_set_columns(self, out, child->ids);
}

static bool same_ids(const Lowered *lowered, uint32_t count, const ColumnId *ids) {
    return lowered->node->ncolumns == count &&
           (count == 0 || memcmp(lowered->ids, ids, count * sizeof *ids) == 0);
}

Status lowered_reorder(Lowering *self, const Lowered *child, uint32_t count, const ColumnId *from,
                       const ColumnId *as, Lowered *out) {
    if (same_ids(child, count, from)) {
        *out = *child;
        if (from == as) return TRIB_OK;
        TRY_ALLOC(out->ids, ARENA_ARRAY(self->arena, ColumnId, count), self->err);
        if (count) memcpy(out->ids, as, count * sizeof *as);
        return TRIB_OK;
    }
    TRY(lowered_over(self, PHYS_PROJECT, count, child, out));
    TRY_ALLOC(out->node->as.project.exprs, ARENA_ARRAY(self->arena, Expr *, count), self->err);
    Inputs inputs;
    TRY(inputs_open(self, INPUTS_ONLY, child, NULL, &inputs));
    for (uint32_t i = 0; i < count; i++) {
        Expr *column;
        TRY_ALLOC(
            column,
            expr_column(self->arena, from[i], plan_column(&self->plan->columns, from[i])->type),
            self->err);
        TRY(inputs_lower(&inputs, column, &out->node->as.project.exprs[i]));
    }
    out->node->rows = child->node->rows;
    return lowered_set_columns(self, out, as);
}
