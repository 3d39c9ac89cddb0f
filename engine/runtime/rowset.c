/*
 * rowset.c - a few rows in memory: what SHOW SESSION, SHOW CATALOGS and EXPLAIN answer.
 *
 * Rows are kept as vectors of up to a batch each, in one arena.
 */
#include "engine/runtime/session.h"

typedef struct RowChunk {
    Batch batch;
    struct RowChunk *next;
} RowChunk;

struct RowSet {
    Arena *arena;
    uint32_t ncolumns;
    const Type *types;
    RowChunk *first, *last, *reading;
    bool started;
};

Status rowset_new(Arena *arena, uint32_t ncolumns, const Type *types, RowSet **out, Error *err) {
    RowSet *self;
    TRY_ALLOC(self, ARENA_NEW(arena, RowSet), err);
    self->arena = arena;
    self->ncolumns = ncolumns;
    self->types = types;
    *out = self;
    return TRIB_OK;
}

static Status rowset_chunk(RowSet *self, Error *err) {
    RowChunk *chunk;
    TRY_ALLOC(chunk, ARENA_NEW(self->arena, RowChunk), err);
    batch_init(&chunk->batch, self->arena);
    TRY(batch_columns(&chunk->batch, self->ncolumns, err));
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        TRY(vector_new(self->arena, self->types[i], BATCH_ROWS, &chunk->batch.columns[i], err));
    }
    if (self->last) {
        self->last->next = chunk;
    } else {
        self->first = chunk;
    }
    self->last = chunk;
    return TRIB_OK;
}

Status rowset_add(RowSet *self, const Value *values, Error *err) {
    if (!self->last || self->last->batch.count == BATCH_ROWS) TRY(rowset_chunk(self, err));
    Batch *batch = &self->last->batch;
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        TRY(vector_set(self->arena, &batch->columns[i], batch->count, &values[i], err));
    }
    batch->selected = ++batch->count;
    return TRIB_OK;
}

Status rowset_next(RowSet *self, Batch **out, Error *err) {
    self->reading = self->started ? (self->reading ? self->reading->next : NULL) : self->first;
    self->started = true;
    *out = self->reading ? &self->reading->batch : NULL;
    return TRIB_OK;
}
