/*
 * window_aggregate.c - aggregates over frames.
 *
 * A state is kept from row to row, together with the rows that are in it. How it follows the frame:
 *   growing   the frame begins with the partition and never ends earlier than that of the row before:
 *             rows are added. So each row is looked at once, also where the frame is the whole partition.
 *   sliding   both ends move on, and the aggregate can take rows out again exactly (counts, sums of exact
 *             numbers): rows are added at one end and taken out at the other.
 *   tree      all others: short frames are added up row by row, long ones are put together from a tree
 *             of states over the partition (window_tree.c).
 *
 * Arguments are gathered in blocks of rows, one at each end of the frame, whose columns the aggregates
 * update from as they do in a grouping. States that are plain bytes are copied, one for each row of the
 * batch, and finished together; others are finished when they have changed, and rows point to results.
 */
#include "engine/exec/window.h"

#define UNIT_STEADY 2048 /* rows gathered at once; BATCH_ROWS */
#define UNIT_JUMPY  256  /* ... where frames do not move evenly */
#define BLOCK_HELD  (UINT64_C(256) * 1024)
#define SLOT_MOST   64 /* bytes of a state that is copied for each row */

typedef enum WindowMode { MODE_GROWING, MODE_SLIDING, MODE_TREE } WindowMode;

/* Arguments of consecutive rows. */
typedef struct ArgBlock {
    uint64_t from, to;
    WindowHold hold;
    Arena *arena;
    Vector *args;
    ColumnRoom *rooms;
    uint16_t *kept;  /* FILTER: positions that pass, */
    uint16_t *below; /* and how many of them are before each position */
} ArgBlock;

struct WindowAggregate {
    WindowEval eval; /* first */
    const Aggregate *aggregate;
    WindowMode mode;
    WindowFrame frame;
    uint32_t filter; /* column, UINT32_MAX: none */
    uint32_t unit;
    ArgBlock blocks[2]; /* where frames begin, and where they end */
    uint8_t **rows;     /* scratch: addresses; states of update() */
    uint8_t *initial, *state;
    uint32_t stride;   /* bytes of a state, aligned */
    Arena *arena;      /* what the state points to */
    Allowance values;  /* of both arenas and the tree */
    uint64_t from, to; /* the rows in the state */
    /* Results: a state for each row of the batch ... */
    uint8_t *slots;
    uint8_t **slot;
    ColumnRoom room;
    /* ... or those that there are, and which one each row has. */
    Vector entries;
    uint32_t nentries;
    uint32_t *indices;
    bool entry_current; /* the last one is that of the state */
    bool put_out;       /* the batch is over */
    Arena *entry_arena;
    WindowTree tree;
    WindowTreeSpec spec;
};

/* ---------------------------------------------------------------- arguments */

static void block_filter(const WindowAggregate *self, ArgBlock *block, uint32_t count) {
    const RowLayout *layout = self->eval.source->rows.layout;
    uint32_t offset = layout->columns[self->filter].offset;
    uint16_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        block->below[i] = n;
        block->kept[n] = (uint16_t)i;
        n += self->rows[i][offset] && !row_is_null(layout, self->rows[i], self->filter);
    }
    block->below[count] = n;
}

static Status block_load(WindowAggregate *self, ArgBlock *block, uint64_t from, Error *err) {
    WindowSource *source = self->eval.source;
    const SortShared *sort = &source->shared->sort;
    const PhysWindow *window = self->eval.window;
    uint64_t to = source->high - from < self->unit ? source->high : from + self->unit;
    block->from = block->to = 0;
    TRY(cancel_check(source->query->cancel, err));
    TRY(window_rows_hold(&source->rows, from, &to, BLOCK_HELD, &block->hold, err));
    uint32_t count = (uint32_t)(to - from);
    window_rows_addresses(&source->rows, from, count, self->rows);
    arena_reset(block->arena);
    for (uint32_t a = 0; a < window->call->ncall; a++) {
        if (window->args[a]->kind != EXPR_COLUMN) continue;
        uint32_t ordinal = window->args[a]->as.ordinal;
        TRY(row_gather(source->rows.layout, ordinal, self->rows, count, NULL, count,
                       sort->may_null[ordinal], &block->rooms[a], block->arena, &block->args[a],
                       err));
    }
    if (self->filter != UINT32_MAX) block_filter(self, block, count);
    block->from = from;
    block->to = to;
    return TRIB_OK;
}

/* The block must hold `from`, and the rows up to `to` if there is room for so many. */
static inline bool block_covers(const WindowAggregate *self, const ArgBlock *block, uint64_t from,
                                uint64_t to) {
    return from >= block->from && from < block->to &&
           (to <= block->to || from == block->from || to - from > self->unit);
}

static Status state_update(WindowAggregate *self, const ArgBlock *block, const uint16_t *selection,
                           uint32_t count, uint8_t *state, Arena *arena, Error *err) {
    const Aggregate *aggregate = self->aggregate;
    uint32_t nargs = self->eval.window->call->ncall;
    if (aggregate->update_single)
        return aggregate->update_single(aggregate, nargs, block->args, selection, count, state,
                                        arena, err);
    for (uint32_t i = 0; i < count; i++) self->rows[i] = state;
    return aggregate->update(aggregate, nargs, block->args, selection, count, self->rows, 0, arena,
                             err);
}

/* Rows of a block as a selection; their number. */
static uint32_t block_rows(const WindowAggregate *self, const ArgBlock *block, uint64_t from,
                           uint64_t to, const uint16_t **selection) {
    uint32_t first = (uint32_t)(from - block->from), last = (uint32_t)(to - block->from);
    if (self->filter != UINT32_MAX) {
        *selection = block->kept + block->below[first];
        return (uint32_t)(block->below[last] - block->below[first]);
    }
    *selection = first == 0 ? NULL : self->eval.source->identity + first;
    return last - first;
}

Status window_aggregate_add(WindowAggregate *self, uint32_t which, uint64_t from, uint64_t to,
                            uint8_t *state, Arena *arena, Error *err) {
    ArgBlock *block = &self->blocks[which];
    while (from < to) {
        const uint16_t *selection;
        if (!block_covers(self, block, from, to)) TRY(block_load(self, block, from, err));
        uint64_t upto = to < block->to ? to : block->to;
        uint32_t count = block_rows(self, block, from, upto, &selection);
        if (count > 0) TRY(state_update(self, block, selection, count, state, arena, err));
        from = upto;
    }
    return TRIB_OK;
}

static Status state_remove(WindowAggregate *self, uint64_t from, uint64_t to, Error *err) {
    ArgBlock *block = &self->blocks[0];
    const Aggregate *aggregate = self->aggregate;
    while (from < to) {
        const uint16_t *selection;
        if (!block_covers(self, block, from, to)) TRY(block_load(self, block, from, err));
        uint64_t upto = to < block->to ? to : block->to;
        uint32_t count = block_rows(self, block, from, upto, &selection);
        if (count > 0)
            TRY(aggregate->remove_single(aggregate, self->eval.window->call->ncall, block->args,
                                         selection, count, self->state, err));
        from = upto;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the state follows the frame */

static void state_reset(WindowAggregate *self, uint64_t at) {
    memcpy(self->state, self->initial, self->stride);
    if (!self->aggregate->spillable_raw) arena_reset(self->arena);
    self->from = self->to = at;
    self->entry_current = false;
}

static Status advance_growing(WindowAggregate *self, uint64_t from, uint64_t to, Error *err) {
    if (to == self->to && from == self->from) return TRIB_OK;
    if (from != self->from || to < self->to) state_reset(self, from);
    self->entry_current = false;
    TRY(window_aggregate_add(self, 1, self->to, to, self->state, self->arena, err));
    self->to = to;
    return TRIB_OK;
}

static Status advance_sliding(WindowAggregate *self, uint64_t from, uint64_t to, Error *err) {
    if (to == self->to && from == self->from) return TRIB_OK;
    if (from < self->from || to < self->to || from >= self->to) state_reset(self, from);
    self->entry_current = false;
    TRY(window_aggregate_add(self, 1, self->to, to, self->state, self->arena, err));
    self->to = to;
    TRY(state_remove(self, self->from, from, err));
    self->from = from;
    return TRIB_OK;
}

static Status advance_tree(WindowAggregate *self, uint64_t from, uint64_t to, Error *err) {
    if (to == self->to && from == self->from) return TRIB_OK;
    bool direct = to - from <= TREE_DIRECT;
    if (!direct && !self->tree.made) TRY(window_tree_make(&self->tree, &self->spec, err));
    state_reset(self, from);
    if (direct)
        TRY(window_aggregate_add(self, 0, from, to, self->state, self->arena, err));
    else
        TRY(window_tree_query(&self->tree, &self->spec, from, to, self->state, self->arena, err));
    self->to = to;
    return TRIB_OK;
}

static Status state_advance(WindowAggregate *self, uint64_t from, uint64_t to, Error *err) {
    switch (self->mode) {
    case MODE_GROWING: return advance_growing(self, from, to, err);
    case MODE_SLIDING: return advance_sliding(self, from, to, err);
    default: return advance_tree(self, from, to, err);
    }
}

/* ---------------------------------------------------------------- results */

/* The state's result, behind those that there are. */
static Status entry_add(WindowAggregate *self, Error *err) {
    Vector one;
    if (self->nentries == 0)
        TRY(vector_new(self->entry_arena, self->eval.window->result, 1, &self->entries, err));
    TRY(vector_new(self->entry_arena, self->eval.window->result, 1, &one, err));
    TRY(self->aggregate->finish(self->aggregate, &self->state, 0, 1, &one, self->entry_arena, err));
    TRY(vector_reserve(self->entry_arena, &self->entries, self->nentries + 1, err));
    TRY(vector_append(self->entry_arena, &self->entries, self->nentries, &one, NULL, 1, err));
    self->nentries++;
    self->entry_current = true;
    return TRIB_OK;
}

static inline void slot_put(WindowAggregate *self, uint32_t position) {
    uint8_t *slot = self->slots + (size_t)position * self->stride;
    if (self->stride == 16)
        memcpy(slot, self->state, 16);
    else
        memcpy(slot, self->state, self->stride);
}

static Status piece_compute(WindowAggregate *self, const WindowPiece *piece, Error *err) {
    const WindowEval *eval = &self->eval;
    TRY(window_frame_piece(&self->frame, piece, err));
    if (self->put_out) {
        arena_reset(self->entry_arena);
        self->nentries = 0;
        self->put_out = self->entry_current = false;
    }
    if (piece->begins) {
        state_reset(self, eval->source->part_start);
        if (self->tree.made) window_tree_clear(&self->tree, &self->spec);
    }
    const uint64_t *start = self->frame.start, *end = self->frame.end;
    for (uint32_t i = 0; i < piece->count; i++) {
        TRY(state_advance(self, start[i], end[i], err));
        if (self->slots) {
            slot_put(self, piece->position + i);
            continue;
        }
        if (!self->entry_current) TRY(entry_add(self, err));
        self->indices[piece->position + i] = self->nentries - 1;
    }
    return TRIB_OK;
}

static Status aggregate_piece(WindowEval *eval, const WindowPiece *piece, Error *err) {
    WindowAggregate *self = (WindowAggregate *)eval;
    Status status = piece_compute(self, piece, err);
    return allowance_told(&self->values, status, "the values of a window function", err);
}

static Status aggregate_output(WindowEval *eval, uint32_t count, Batch *out, Vector *result,
                               Error *err) {
    WindowAggregate *self = (WindowAggregate *)eval;
    self->put_out = true;
    if (!self->slots)
        return vector_gather(out->arena, &self->entries, self->indices, count, result, err);
    if (type_is_nested(eval->window->result))
        TRY(vector_new(out->arena, eval->window->result, count, result, err));
    else
        *result = (Vector){.type = eval->window->result,
                           .physical = (uint8_t)type_physical(eval->window->result),
                           .form = VECTOR_FLAT,
                           .capacity = BATCH_ROWS,
                           .data = self->room.data};
    return self->aggregate->finish(self->aggregate, self->slot, 0, count, result, out->arena, err);
}

static void aggregate_close(WindowEval *eval) {
    WindowAggregate *self = (WindowAggregate *)eval;
    WindowSource *source = eval->source;
    arena_free(self->arena);
    arena_free(self->entry_arena);
    self->arena = self->entry_arena = NULL;
    window_tree_clear(&self->tree, &self->spec);
    for (uint32_t b = 0; b < 2; b++) window_rows_release(&source->rows, &self->blocks[b].hold);
}

/* ---------------------------------------------------------------- opening */

static Status block_open(const WindowAggregate *self, ArgBlock *block, Error *err) {
    WindowSource *source = self->eval.source;
    const PhysWindow *window = self->eval.window;
    uint32_t n = window->call->ncall;
    TRY_ALLOC(block->arena, arena_new(source->arena), err);
    TRY_ALLOC(block->args, ARENA_ARRAY(source->arena, Vector, n), err);
    TRY_ALLOC(block->rooms, ARENA_ARRAY(source->arena, ColumnRoom, n), err);
    TRY_ALLOC(block->kept, ARENA_ARRAY(source->arena, uint16_t, BATCH_ROWS + 1), err);
    TRY_ALLOC(block->below, ARENA_ARRAY(source->arena, uint16_t, BATCH_ROWS + 1), err);
    for (uint32_t a = 0; a < n; a++) {
        const Expr *e = window->args[a];
        if (e->kind == EXPR_COLUMN)
            TRY(column_room_new(source->arena, &source->rows.layout->columns[e->as.ordinal],
                                &block->rooms[a], err));
        else
            TRY(vector_constant(source->arena, &e->as.value, &block->args[a], err));
    }
    return TRIB_OK;
}

static Status state_open(WindowAggregate *self, Error *err) {
    Arena *arena = self->eval.source->arena;
    const PhysWindow *window = self->eval.window;
    Type *types;
    TRY_ALLOC(types, ARENA_ARRAY(arena, Type, window->call->ncall), err);
    for (uint32_t a = 0; a < window->call->ncall; a++) types[a] = window->args[a]->type;
    self->stride = (self->aggregate->state_size + 15) / 16 * 16;
    TRY_ALLOC(self->initial, arena_alloc(arena, self->stride), err);
    TRY_ALLOC(self->state, arena_alloc(arena, self->stride), err);
    self->aggregate->init(self->initial, types, window->result);
    TRY_ALLOC(self->arena, arena_new(arena), err);
    TRY_ALLOC(self->entry_arena, arena_new(arena), err);
    arena_set_charge(self->arena, allowance_charge, &self->values);
    arena_set_charge(self->entry_arena, allowance_charge, &self->values);
    TRY_ALLOC(self->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    if (!self->aggregate->spillable_raw || self->stride > SLOT_MOST) {
        TRY_ALLOC(self->indices, ARENA_ARRAY(arena, uint32_t, BATCH_ROWS), err);
        return TRIB_OK;
    }
    TRY_ALLOC(self->slots, arena_array(arena, BATCH_ROWS, self->stride), err);
    TRY_ALLOC(self->slot, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t i = 0; i < BATCH_ROWS; i++)
        self->slot[i] = self->slots + (size_t)i * self->stride;
    RowColumn column = {.type = window->result, .size = 16};
    return column_room_new(arena, &column, &self->room, err);
}

Status window_aggregate_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                            Error *err) {
    static const WindowKind kind = {
        .piece = aggregate_piece, .output = aggregate_output, .close = aggregate_close};
    const WindowCall *call = window->call;
    WindowAggregate *self;
    TRY_ALLOC(self, ARENA_NEW(source->arena, WindowAggregate), err);
    self->eval = (WindowEval){.kind = &kind, .window = window, .source = source};
    self->eval.level = source->node->as.window.npartition + call->norder;
    self->aggregate = call->aggregate;
    self->values.grant = &source->shared->sort.grant;
    self->spec = (WindowTreeSpec){
        .owner = self, .source = source, .aggregate = call->aggregate, .values = &self->values};
    *out = &self->eval;
    TRY(window_frame_init(&self->frame, source, window, self->eval.level, err));
    bool steady = self->frame.steady;
    self->mode = steady && call->start.kind == BOUND_UNBOUNDED_PRECEDING ? MODE_GROWING
                 : steady && call->aggregate->remove_single              ? MODE_SLIDING
                                                                         : MODE_TREE;
    self->unit = steady ? UNIT_STEADY : UNIT_JUMPY;
    self->filter = call->filter == NO_ARG ? UINT32_MAX : window->args[call->filter]->as.ordinal;
    TRY(state_open(self, err));
    self->spec.initial = self->initial;
    self->spec.stride = self->stride;
    for (uint32_t b = 0; b < 2; b++) TRY(block_open(self, &self->blocks[b], err));
    return TRIB_OK;
}
