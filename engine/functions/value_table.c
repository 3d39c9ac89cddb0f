/*
 * value_table.c - distinct values inside the states of aggregates.
 */
#include "engine/functions/value_table.h"

#define SLOTS_FIRST 8

static void slot_put(ValueTable *self, uint32_t number) {
    uint32_t mask = self->nslots - 1, slot = (uint32_t)self->hashes[number] & mask;
    while (self->slots[slot] != 0) slot = (slot + 1) & mask;
    self->slots[slot] = number + 1;
}

static Status table_grow(ValueTable *self, uint32_t values, Arena *arena, Error *err) {
    if (values > self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : SLOTS_FIRST / 2;
        if (capacity < values) capacity = values;
        uint64_t *hashes;
        TRY_ALLOC(hashes, ARENA_ARRAY(arena, uint64_t, capacity), err);
        if (self->values.count) memcpy(hashes, self->hashes, self->values.count * sizeof *hashes);
        self->hashes = hashes;
        self->capacity = capacity;
    }
    if ((uint64_t)values * 2 <= self->nslots) return TRIB_OK;
    uint64_t nslots = self->nslots ? self->nslots * UINT64_C(2) : SLOTS_FIRST;
    while (nslots < (uint64_t)values * 2) nslots *= 2;
    if (nslots > UINT32_MAX)
        return error_set(err, ERR_LIMIT, "a group has too many distinct values");
    TRY_ALLOC(self->slots, ARENA_ARRAY(arena, uint32_t, nslots), err);
    self->nslots = (uint32_t)nslots;
    for (uint32_t i = 0; i < self->values.count; i++) slot_put(self, i);
    return TRIB_OK;
}

/* The number of a value with its hash; UINT32_MAX if it is not there. */
static uint32_t slot_find(const ValueTable *self, const Vector *one, uint64_t hash) {
    for (uint32_t i = 0; self->nslots > 0; i++) {
        uint32_t number = self->slots[((uint32_t)hash + i) & (self->nslots - 1)];
        if (number-- == 0) break;
        if (self->hashes[number] != hash) continue;
        if (vector_equal(&self->values.columns[0], number, one, 0)) return number;
    }
    return UINT32_MAX;
}

Status value_table_seek(const ValueTable *self, const Vector *v, uint32_t row, uint32_t *out,
                        bool *missing, Arena *arena, Error *err) {
    Vector one;
    uint64_t hash;
    TRY(vector_row(v, row, arena, &one, err));
    vector_hash(&one, NULL, 1, false, &hash);
    *out = slot_find(self, &one, hash);
    *missing = *out == UINT32_MAX;
    return TRIB_OK;
}

Status value_table_find(ValueTable *self, const Type *type, const Vector *v, uint32_t row,
                        uint32_t *out, bool *added, Arena *arena, Error *err) {
    Vector one;
    uint64_t hash;
    TRY(vector_row(v, row, arena, &one, err));
    vector_hash(&one, NULL, 1, false, &hash);
    *out = slot_find(self, &one, hash);
    *added = *out == UINT32_MAX;
    if (!*added) return TRIB_OK;
    TRY(table_grow(self, self->values.count + 1, arena, err));
    TRY(value_list_add(&self->values, 1, type, &one, NULL, 1, arena, err));
    *out = self->values.count - 1;
    self->hashes[*out] = hash;
    slot_put(self, *out);
    return TRIB_OK;
}

/* Linear probing: the rest of the run moves up. */
static void slot_remove(ValueTable *self, uint32_t number) {
    uint32_t mask = self->nslots - 1, slot = (uint32_t)self->hashes[number] & mask;
    while (self->slots[slot] != number + 1) slot = (slot + 1) & mask;
    self->slots[slot] = 0;
    for (uint32_t next = (slot + 1) & mask; self->slots[next] != 0; next = (next + 1) & mask) {
        uint32_t moved = self->slots[next] - 1;
        self->slots[next] = 0;
        slot_put(self, moved);
    }
}

Status value_table_replace(ValueTable *self, uint32_t number, const Type *type, const Vector *v,
                           uint32_t row, Arena *arena, Error *err) {
    Vector one;
    TRY(vector_row(v, row, arena, &one, err));
    slot_remove(self, number);
    vector_hash(&one, NULL, 1, false, &self->hashes[number]);
    TRY(vector_append(arena, &self->values.columns[0], number, &one, NULL, 1, err));
    slot_put(self, number);
    return TRIB_OK;
}

Status value_table_read(ValueTable *self, const Type *type, const uint8_t **at, Arena *arena,
                        Error *err) {
    ValueList list = {0};
    TRY(value_list_read(&list, 1, type, at, arena, err));
    for (uint32_t i = 0; i < list.count; i++) {
        uint32_t number;
        bool added;
        TRY(value_table_find(self, type, &list.columns[0], i, &number, &added, arena, err));
    }
    return TRIB_OK;
}
