/*
 * batch.c - batches: several vectors of the same positions, and what keeps them alive.
 *
 * A batch is used by one thread at a time. Its arena holds the columns array and the list of kept
 * buffers; clearing the batch drops the references and resets the arena.
 */
#include "engine/vector/vector.h"

void batch_init(Batch *self, Arena *arena) {
    memset(self, 0, sizeof(*self));
    self->arena = arena;
}

Status batch_columns(Batch *self, uint32_t ncolumns, Error *err) {
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, Vector, ncolumns), err);
    self->ncolumns = ncolumns;
    return TRIB_OK;
}

Status batch_keep(Batch *self, Buffer *buffer, Error *err) {
    if (self->nkeep == self->keep_capacity) {
        uint32_t capacity = self->keep_capacity ? self->keep_capacity * 2 : 8;
        Buffer **keep = ARENA_ARRAY(self->arena, Buffer *, capacity);
        if (keep == NULL) {
            buffer_release(buffer); /* the reference was given to us */
            return error_out_of_memory(err);
        }
        if (self->nkeep > 0) memcpy(keep, self->keep, self->nkeep * sizeof(*keep));
        self->keep = keep;
        self->keep_capacity = capacity;
    }
    self->keep[self->nkeep++] = buffer;
    return TRIB_OK;
}

void batch_clear(Batch *self) {
    for (uint32_t i = 0; i < self->nkeep; i++) buffer_release(self->keep[i]);
    Arena *arena = self->arena;
    if (arena != NULL) arena_reset(arena);
    batch_init(self, arena);
}

void batch_move(Batch *dst, Batch *src) {
    if (dst == src) return;
    batch_clear(dst);
    Batch empty = *dst;
    *dst = *src;
    *src = empty; /* with the arena that dst had */
}
