/*
 * aggregate_state.c - the states of aggregate functions as part of rows: made, combined, packed for
 * the disk.
 *
 * States without pointers are plain bytes and travel with their rows. When some aggregate has
 * pointers (the longest text, say), rows that leave memory take another form: keys and one string
 * in which each plain state stands as it is and each other one as length and serialised bytes.
 */
#include "engine/exec/aggregate.h"

void agg_states_init(const AggShared *self, uint8_t *const *rows, uint32_t count) {
    uint32_t offset = self->layout->tail_offset, bytes = self->states_bytes;
    const uint8_t *initial = self->initial;
    if (bytes == 8) {
        for (uint32_t i = 0; i < count; i++) memcpy(rows[i] + offset, initial, 8);
    } else if (bytes == 16) {
        for (uint32_t i = 0; i < count; i++) memcpy(rows[i] + offset, initial, 16);
    } else {
        for (uint32_t i = 0; i < count; i++) memcpy(rows[i] + offset, initial, bytes);
    }
}

Status agg_states_combine(const AggShared *self, uint8_t *const *into, uint8_t *const *from,
                          uint32_t count, Arena *arena, Error *err) {
    for (uint32_t a = 0; a < self->nstates; a++) {
        const Aggregate *aggregate = self->states[a].aggregate;
        uint32_t offset = self->layout->tail_offset + self->states[a].offset;
        Status status = TRIB_OK;
        if (aggregate->combine_many)
            status = aggregate->combine_many(aggregate, into, from, offset, count, arena, err);
        for (uint32_t i = 0; i < count && !aggregate->combine_many && status == TRIB_OK; i++)
            status = aggregate->combine(aggregate, into[i] + offset, from[i] + offset, arena, err);
        TRY(agg_place(&self->states[a], status, err));
    }
    return TRIB_OK;
}

static Status states_pack_one(const AggShared *self, const uint8_t *states, Arena *arena,
                              StrView *out, Error *err) {
    uint64_t bytes = 0;
    for (uint32_t a = 0; a < self->nstates; a++) {
        const Aggregate *aggregate = self->states[a].aggregate;
        if (aggregate->spillable_raw)
            bytes += aggregate->state_size;
        else
            bytes += sizeof(uint32_t) +
                     aggregate->state_bytes(aggregate, states + self->states[a].offset);
    }
    if (bytes > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "the aggregates of one group take more than 4 GiB");
    char *memory, *at;
    TRY_ALLOC(memory, arena_alloc(arena, bytes), err);
    at = memory;
    for (uint32_t a = 0; a < self->nstates; a++) {
        const Aggregate *aggregate = self->states[a].aggregate;
        const uint8_t *state = states + self->states[a].offset;
        if (aggregate->spillable_raw) {
            memcpy(at, state, aggregate->state_size);
            at += aggregate->state_size;
            continue;
        }
        uint32_t length = (uint32_t)aggregate->state_bytes(aggregate, state);
        memcpy(at, &length, sizeof length);
        aggregate->serialise(aggregate, state, at + sizeof length);
        at += sizeof length + length;
    }
    *out = strview_of(memory, bytes);
    return TRIB_OK;
}

Status agg_states_pack(const AggShared *self, uint8_t *const *rows, uint32_t count, Arena *arena,
                       StrView *out, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        TRY(states_pack_one(self, rows[i] + self->layout->tail_offset, arena, &out[i], err));
    return TRIB_OK;
}

Status agg_states_unpack(const AggShared *self, const StrView *packed, uint32_t count,
                         uint8_t *const *rows, Arena *arena, Error *err) {
    agg_states_init(self, rows, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *at = strview_data(&packed[i]);
        for (uint32_t a = 0; a < self->nstates; a++) {
            const Aggregate *aggregate = self->states[a].aggregate;
            uint8_t *state = rows[i] + self->layout->tail_offset + self->states[a].offset;
            if (aggregate->spillable_raw) {
                memcpy(state, at, aggregate->state_size);
                at += aggregate->state_size;
                continue;
            }
            uint32_t length;
            memcpy(&length, at, sizeof length);
            TRY(aggregate->deserialise(aggregate, state, at + sizeof length, length, arena, err));
            at += sizeof length + length;
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- packing rows */

Status agg_packer_new(const AggShared *self, const uint16_t *identity, Arena *arena, AggPacker *out,
                      Error *err) {
    *out = (AggPacker){.identity = identity};
    TRY_ALLOC(out->rooms, ARENA_ARRAY(arena, ColumnRoom, self->ngroups), err);
    for (uint32_t c = 0; c < self->ngroups; c++)
        TRY(column_room_new(arena, &self->layout->columns[c], &out->rooms[c], err));
    TRY_ALLOC(out->columns, ARENA_ARRAY(arena, FlatColumn, self->ngroups + 1), err);
    TRY_ALLOC(out->hashes, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(out->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(out->arena, arena_new(arena), err);
    return TRIB_OK;
}

Status agg_pack_rows(AggPacker *self, const AggShared *shared, uint8_t *const *rows, uint32_t count,
                     RowStore *store, Error *err) {
    arena_reset(self->arena);
    StrView *views;
    TRY_ALLOC(views, ARENA_ARRAY(self->arena, StrView, count), err);
    TRY(agg_states_pack(shared, rows, count, self->arena, views, err));
    for (uint32_t c = 0; c < shared->ngroups; c++)
        row_gather_flat(shared->layout, c, rows, count, true, &self->rooms[c], &self->columns[c]);
    self->columns[shared->ngroups] = (FlatColumn){.data = (const uint8_t *)views};
    for (uint32_t i = 0; i < count; i++) self->hashes[i] = row_hash(rows[i]);
    return row_store_append(store, self->columns, self->identity, count, self->hashes, self->rows,
                            err);
}

Status agg_result_column(const AggState *state, uint8_t *const *rows, uint32_t offset,
                         uint32_t count, ColumnRoom *room, Arena *arena, Vector *out, Error *err) {
    if (type_is_nested(state->result)) {
        TRY(vector_new(arena, state->result, count, out, err));
    } else {
        *out = (Vector){.type = state->result,
                        .physical = (uint8_t)type_physical(state->result),
                        .form = VECTOR_FLAT,
                        .capacity = BATCH_ROWS,
                        .data = room->data};
    }
    Status status = state->aggregate->finish(state->aggregate, rows, offset + state->offset, count,
                                             out, arena, err);
    return agg_place(state, status, err);
}
