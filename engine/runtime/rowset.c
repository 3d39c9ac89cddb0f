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
    uint64_t rows;
    Batch found; /* of rowset_seek: a chunk's columns and a selection of its rows */
    uint16_t selection[BATCH_ROWS];
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
    self->rows++;
    return TRIB_OK;
}

uint64_t rowset_rows(const RowSet *self) {
    return self->rows;
}

void rowset_seek(RowSet *self, uint64_t row, uint64_t limit, Batch **out) {
    RowChunk *chunk = self->first;
    *out = NULL;
    if (row >= self->rows || row >= limit) return;
    for (uint64_t i = row / BATCH_ROWS; i > 0; i--) chunk = chunk->next;
    uint32_t first = (uint32_t)(row % BATCH_ROWS), n = 0;
    for (uint32_t at = first; at < chunk->batch.count && row + n < limit; at++)
        self->selection[n++] = (uint16_t)at;
    self->found = chunk->batch;
    self->found.selection = self->selection;
    self->found.selected = n;
    *out = &self->found;
}

Status rowset_next(RowSet *self, Batch **out, Error *err) {
    self->reading = self->started ? (self->reading ? self->reading->next : NULL) : self->first;
    self->started = true;
    *out = self->reading ? &self->reading->batch : NULL;
    return TRIB_OK;
}
