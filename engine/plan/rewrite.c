/*
 * rewrite.c - copies of plans with other expressions or other columns.
 *
 * What a node holds besides its children stands in two places here: its expressions in
 * logical_map_exprs, its column ids in clone_node. Recursion follows the depth of the plan, which the
 * parser's limit on nesting bounds.
 */
#include "engine/plan/logical.h"

/* ---------------------------------------------------------------- expressions */

typedef struct Mapping {
    Arena *arena;
    PlanExprMap map;
    void *context;
    Error *err;
} Mapping;

/* Maps an array of expressions; *array is replaced by a copy when something changed. */
static Status map_array(Mapping *self, uint32_t count, Expr ***array, bool *changed) {
    Expr **copy = NULL;
    for (uint32_t i = 0; i < count; i++) {
        Expr *e;
        TRY(self->map(self->context, (*array)[i], &e));
        if (e == (*array)[i]) continue;
        if (!copy) {
            TRY_ALLOC(copy, ARENA_ARRAY(self->arena, Expr *, count), self->err);
            memcpy(copy, *array, count * sizeof *copy);
        }
        copy[i] = e;
    }
    if (copy) {
        *array = copy;
        *changed = true;
    }
    return TRIB_OK;
}

static Status map_matrix(Mapping *self, uint32_t rows, uint32_t count, Expr ****matrix,
                         bool *changed) {
    Expr ***copy = NULL;
    for (uint32_t r = 0; r < rows; r++) {
        Expr **row = (*matrix)[r];
        bool row_changed = false;
        TRY(map_array(self, count, &row, &row_changed));
        if (!row_changed) continue;
        if (!copy) {
            TRY_ALLOC(copy, ARENA_ARRAY(self->arena, Expr **, rows), self->err);
            memcpy(copy, *matrix, rows * sizeof *copy);
        }
        copy[r] = row;
    }
    if (copy) {
        *matrix = copy;
        *changed = true;
    }
    return TRIB_OK;
}

static Status map_keys(Mapping *self, uint32_t count, SortKey **keys, bool *changed) {
    SortKey *copy;
    TRY_ALLOC(copy, ARENA_ARRAY(self->arena, SortKey, count), self->err);
    for (uint32_t i = 0; i < count; i++) {
        copy[i] = (*keys)[i];
        TRY(self->map(self->context, (*keys)[i].expr, &copy[i].expr));
        *changed |= copy[i].expr != (*keys)[i].expr;
    }
    *keys = copy;
    return TRIB_OK;
}

static Status map_one(Mapping *self, Expr **e, bool *changed) {
    if (!*e) return TRIB_OK;
    Expr *mapped;
    TRY(self->map(self->context, *e, &mapped));
    *changed |= mapped != *e;
    *e = mapped;
    return TRIB_OK;
}

Status logical_map_exprs(Arena *arena, LogicalNode *node, PlanExprMap map, void *context,
                         LogicalNode **out, Error *err) {
    Mapping mapping = {arena, map, context, err}, *self = &mapping;
    LogicalNode *copy;
    bool changed = false;
    TRY_ALLOC(copy, logical_copy(self->arena, node), self->err);
    TRY(map_array(self, copy->nconjuncts, &copy->conjuncts, &changed));
    if (copy->exprs) TRY(map_array(self, copy->noutput, &copy->exprs, &changed));
    TRY(map_array(self, copy->nunnest, &copy->unnest, &changed));
    TRY(map_array(self, copy->ngroups, &copy->groups, &changed));
    TRY(map_array(self, copy->naggregates, &copy->aggregates, &changed));
    TRY(map_array(self, copy->nwindows, &copy->windows, &changed));
    if (copy->nkeys) TRY(map_keys(self, copy->nkeys, &copy->keys, &changed));
    TRY(map_one(self, &copy->limit, &changed));
    TRY(map_one(self, &copy->offset, &changed));
    TRY(map_matrix(self, copy->nrows, copy->noutput, &copy->value_rows, &changed));
    TRY(map_matrix(self, copy->nsets, copy->noutput, &copy->sets, &changed));
    *out = changed ? copy : node;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns */

typedef struct Cloning {
    Arena *arena;
    PlanColumns *columns;
    ColumnId *map;  /* by id: the copy's, 0 = none yet */
    CloneMap *kept; /* notes what was set; NULL = nobody asks */
    bool exhausted; /* memory, in clone_column */
    Error *err;
} Cloning;

static Status clone_note(Cloning *self, ColumnId id) {
    CloneMap *kept = self->kept;
    if (kept->nset == kept->set_capacity) {
        uint32_t capacity = kept->set_capacity ? kept->set_capacity * 2 : 256;
        ColumnId *set;
        TRY_ALLOC(set, ARENA_ARRAY(self->arena, ColumnId, capacity), self->err);
        if (kept->nset) memcpy(set, kept->set, kept->nset * sizeof *set);
        kept->set = set;
        kept->set_capacity = capacity;
    }
    kept->set[kept->nset++] = id;
    return TRIB_OK;
}

static Status clone_id(Cloning *self, ColumnId id, ColumnId *out) {
    if (!self->map[id]) {
        const PlanColumn from = *plan_column(self->columns, id);
        ColumnId fresh = plan_column_new(self->columns, from.name, from.type, from.nullable);
        if (!fresh) return error_out_of_memory(self->err);
        self->columns->columns[fresh].table = from.table;
        self->columns->columns[fresh].table_column = from.table_column;
        self->map[id] = fresh;
        if (self->kept) TRY(clone_note(self, id));
    }
    *out = self->map[id];
    return TRIB_OK;
}

static Status clone_ids(Cloning *self, uint32_t count, ColumnId **ids) {
    ColumnId *copy;
    TRY_ALLOC(copy, ARENA_ARRAY(self->arena, ColumnId, count), self->err);
    for (uint32_t i = 0; i < count; i++) TRY(clone_id(self, (*ids)[i], &copy[i]));
    *ids = copy;
    return TRIB_OK;
}

/* Columns of the plan itself are renamed; those of enclosing queries stay. */
static Expr *clone_column(void *context, const Expr *e) {
    Cloning *self = context;
    if (e->kind != EXPR_COLUMN || !self->map[e->as.column_id]) return NULL;
    Expr *column = expr_column(self->arena, self->map[e->as.column_id], e->type);
    self->exhausted |= !column;
    return column;
}

static Status clone_expr(void *context, Expr *e, Expr **out) {
    Cloning *self = context;
    TRY(expr_rewrite(self->arena, e, clone_column, self, out, self->err));
    return self->exhausted ? error_out_of_memory(self->err) : TRIB_OK;
}

static Status clone_node(Cloning *self, const LogicalNode *node, LogicalNode **out) {
    LogicalNode *copy;
    TRY_ALLOC(copy, logical_copy(self->arena, node), self->err);
    for (uint32_t i = 0; i < node->nchildren; i++)
        TRY(clone_node(self, node->children[i], &copy->children[i]));
    TRY(clone_ids(self, node->noutput, &copy->output));
    if (node->mark) TRY(clone_id(self, node->mark, &copy->mark));
    if (node->inputs) {
        TRY_ALLOC(copy->inputs, ARENA_ARRAY(self->arena, ColumnId *, node->nchildren), self->err);
        for (uint32_t i = 0; i < node->nchildren; i++) {
            copy->inputs[i] = node->inputs[i];
            TRY(clone_ids(self, node->noutput, &copy->inputs[i]));
        }
    }
    return logical_map_exprs(self->arena, copy, clone_expr, self, out, self->err);
}

Status logical_clone(Arena *arena, PlanColumns *columns, const LogicalNode *node, ColumnId **map,
                     LogicalNode **out, Error *err) {
    Cloning self = {.arena = arena, .columns = columns, .err = err};
    TRY_ALLOC(self.map, ARENA_ARRAY(arena, ColumnId, columns->count + 1), err);
    TRY(clone_node(&self, node, out));
    *map = self.map;
    return TRIB_OK;
}

Status logical_clone_again(Arena *arena, PlanColumns *columns, const LogicalNode *node,
                           CloneMap *map, LogicalNode **out, Error *err) {
    Cloning self = {.arena = arena, .columns = columns, .kept = map, .err = err};
    for (uint32_t i = 0; i < map->nset; i++) map->map[map->set[i]] = 0;
    map->nset = 0;
    if (columns->count >= map->capacity) {
        map->capacity = columns->count * 2 + 64;
        TRY_ALLOC(map->map, ARENA_ARRAY(arena, ColumnId, map->capacity), err);
    }
    self.map = map->map;
    return clone_node(&self, node, out);
}
