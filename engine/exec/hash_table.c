/*
 * hash_table.c - looking up batches of keys.
 *
 * Each step runs over many rows before the next one begins, so that their misses overlap: the slots
 * are prefetched, then walked; the rows found are prefetched, then compared.
 */
#include "engine/exec/hash_table.h"

#define SLOT_PENDING UINT64_C(1) /* taken in this round; the row is being made */
#define PIECE        128
#define MOVE_AHEAD   32
/* A table that outgrows the caches goes from LEAVING to LARGE at once: moving entries over and over
 * costs more than empty slots. */
#define LEAVING_SLOTS (UINT64_C(1) << 18)
#define LARGE_SLOTS   (UINT64_C(1) << 21)

Status probe_scratch_new(Arena *arena, ProbeScratch *out, Error *err) {
    uint32_t n = BATCH_ROWS + 1; /* branch-free lists write one past their end */
    TRY_ALLOC(out->hashes, ARENA_ARRAY(arena, uint64_t, n), err);
    TRY_ALLOC(out->identity, ARENA_ARRAY(arena, uint16_t, n), err);
    for (uint32_t i = 0; i < n; i++) out->identity[i] = (uint16_t)i;
    out->positions = out->identity;
    TRY_ALLOC(out->rows, ARENA_ARRAY(arena, uint8_t *, n), err);
    TRY_ALLOC(out->slots, ARENA_ARRAY(arena, uint64_t, n), err);
    TRY_ALLOC(out->list, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->fresh, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->candidates, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->rejected, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->fresh_positions, ARENA_ARRAY(arena, uint16_t, n), err);
    TRY_ALLOC(out->fresh_hashes, ARENA_ARRAY(arena, uint64_t, n), err);
    TRY_ALLOC(out->fresh_rows, ARENA_ARRAY(arena, uint8_t *, n), err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- grouping */

Status group_table_init(GroupTable *self, Grant *grant, uint32_t bits, bool force, Error *err) {
    *self = (GroupTable){.grant = grant};
    TRY(block_new(grant, sizeof(uint64_t) << bits, force, &self->block, err));
    self->slots = self->block.data;
    self->mask = (UINT64_C(1) << bits) - 1;
    return TRIB_OK;
}

void group_table_clear(GroupTable *self) {
    if (self->grant) block_free(self->grant, &self->block);
    self->slots = NULL;
    self->count = 0;
}

void group_table_empty(GroupTable *self) {
    memset(self->slots, 0, (self->mask + 1) * sizeof *self->slots);
    self->count = 0;
}

static void slot_put(uint64_t *slots, uint64_t mask, uint64_t hash, uint64_t entry) {
    uint64_t slot = hash & mask;
    while (slots[slot]) slot = (slot + 1) & mask;
    slots[slot] = entry;
}

/* Enters all rows into a larger array of empty slots. The rows' hashes are asked for ahead; the
 * slots themselves are met nearly in order. */
static void table_move(const GroupTable *self, uint64_t *slots, uint64_t mask) {
    for (uint64_t i = 0; i <= self->mask; i++) {
        uint64_t entry = self->slots[i];
        if (i + MOVE_AHEAD <= self->mask)
            __builtin_prefetch(
                (const void *)(uintptr_t)(self->slots[i + MOVE_AHEAD] & SLOT_POINTER));
        if (entry)
            slot_put(slots, mask, row_hash((const uint8_t *)(uintptr_t)(entry & SLOT_POINTER)),
                     entry);
    }
}

uint64_t group_table_grown(const GroupTable *self) {
    uint64_t slots = self->mask + 1;
    return slots < LEAVING_SLOTS || slots >= LARGE_SLOTS ? slots * 2 : LARGE_SLOTS;
}

void group_table_put(GroupTable *self, uint8_t *row) {
    uint64_t hash = row_hash(row);
    slot_put(self->slots, self->mask, hash, (hash & SLOT_SALT) | (uint64_t)(uintptr_t)row);
    self->count++;
}

Status group_table_reserve(GroupTable *self, uint64_t more, bool force, bool *refused, Error *err) {
    *refused = false;
    uint64_t need = (self->count + more) * 2;
    if (need <= self->mask + 1) return TRIB_OK;
    uint64_t slots = group_table_grown(self);
    while (slots < need) slots *= 2;
    Block block;
    TRY(block_new(self->grant, slots * sizeof(uint64_t), force, &block, err));
    if (!block.data) {
        *refused = true;
        return TRIB_OK;
    }
    table_move(self, block.data, slots - 1);
    block_free(self->grant, &self->block);
    self->block = block;
    self->slots = block.data;
    self->mask = slots - 1;
    return TRIB_OK;
}

/* Walks each listed row to an empty slot, which it takes (fresh), or to one with its salt
 * (candidates); asks for the rows there from `front` to `last`. */
static void group_walk(GroupTable *self, const RowLayout *layout, ProbeScratch *scratch,
                       uint32_t from, uint32_t to, uint32_t *nfresh, uint32_t *ncandidates) {
    uint64_t *slots = self->slots, mask = self->mask;
    uint32_t fresh = *nfresh, candidates = *ncandidates;
    uint32_t front = layout->front, last = layout->width - 1;
    for (uint32_t k = from; k < to; k++) {
        uint16_t i = scratch->list[k];
        uint64_t slot = scratch->slots[i], salt = scratch->hashes[i] & SLOT_SALT;
        uint64_t entry;
        while ((entry = slots[slot]) != 0 && (entry & SLOT_SALT) != salt) slot = (slot + 1) & mask;
        scratch->slots[i] = slot;
        if (entry == 0) {
            slots[slot] = salt | SLOT_PENDING;
            scratch->fresh[fresh++] = i;
        } else {
            uint8_t *row = (uint8_t *)(uintptr_t)(entry & SLOT_POINTER);
            scratch->rows[i] = row;
            __builtin_prefetch(row + front);
            __builtin_prefetch(row + last);
            scratch->candidates[candidates++] = i;
        }
    }
    *nfresh = fresh;
    *ncandidates = candidates;
}

/* Where the rows [from, to) of the batch begin to walk; asks for those slots. */
static void group_begin(const GroupTable *self, ProbeScratch *scratch, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        uint64_t slot = scratch->hashes[i] & self->mask;
        scratch->slots[i] = slot;
        scratch->list[i] = (uint16_t)i;
        __builtin_prefetch(&self->slots[slot], 1);
    }
}

/* The first round, in pieces: while the slots of one piece are on their way, the one before walks,
 * and asks for its rows. */
static void group_walk_first(GroupTable *self, const RowLayout *layout, ProbeScratch *scratch,
                             uint32_t count, uint32_t *nfresh, uint32_t *ncandidates) {
    for (uint32_t from = 0, to; from < count; from = to) {
        to = count - from < PIECE ? count : from + PIECE;
        if (from == 0) group_begin(self, scratch, from, to);
        group_begin(self, scratch, to, count - to < PIECE ? count : to + PIECE);
        group_walk(self, layout, scratch, from, to, nfresh, ncandidates);
    }
}

static uint32_t group_match(const GroupKeys *keys, ProbeScratch *scratch, uint32_t count,
                            uint32_t *nrejected) {
    for (uint32_t c = 0; c < keys->count && count > 0; c++) {
        count = row_match(keys->layout, c, &keys->columns[c], scratch->positions, scratch->rows,
                          keys->may_null[c] ? ROW_NULLS_EQUAL : ROW_NULLS_NONE, scratch->candidates,
                          count, scratch->rejected, nrejected);
    }
    return count;
}

Status group_table_find(GroupTable *self, const GroupKeys *keys, ProbeScratch *scratch,
                        uint32_t count, GroupMake make, void *context, Error *err) {
    uint64_t mask = self->mask;
    uint32_t pending = count;
    for (bool first = true; pending > 0; first = false) {
        uint32_t nfresh = 0, ncandidates = 0, nrejected = 0;
        if (first)
            group_walk_first(self, keys->layout, scratch, count, &nfresh, &ncandidates);
        else
            group_walk(self, keys->layout, scratch, 0, pending, &nfresh, &ncandidates);
        if (nfresh > 0) {
            TRY(make(context, scratch->fresh, nfresh, err));
            for (uint32_t k = 0; k < nfresh; k++) {
                uint16_t i = scratch->fresh[k];
                self->slots[scratch->slots[i]] =
                    (scratch->hashes[i] & SLOT_SALT) | (uint64_t)(uintptr_t)scratch->rows[i];
            }
            self->count += nfresh;
        }
        for (uint32_t k = 0; k < ncandidates && nfresh > 0; k++) { /* met while pending? */
            uint16_t i = scratch->candidates[k];
            if (scratch->rows[i] != (uint8_t *)(uintptr_t)SLOT_PENDING) continue;
            scratch->rows[i] =
                (uint8_t *)(uintptr_t)(self->slots[scratch->slots[i]] & SLOT_POINTER);
        }
        group_match(keys, scratch, ncandidates, &nrejected);
        for (uint32_t k = 0; k < nrejected; k++) {
            uint16_t i = scratch->rejected[k];
            scratch->slots[i] = (scratch->slots[i] + 1) & mask;
            scratch->list[k] = i;
        }
        pending = nrejected;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- joining */

uint32_t join_table_bits(uint64_t rows) {
    uint32_t bits = 4;
    while ((UINT64_C(1) << bits) < rows * 2) bits++;
    return bits;
}

/* One row at the head of its chain, or in a new slot. Rows of one batch are inserted one after
 * the other, because they may equal each other; the candidates' keys are compared singly. */
void join_table_insert(JoinTable *self, const RowLayout *layout, uint32_t nkeys,
                       const FlatColumn *keys, const bool *may_null, ProbeScratch *scratch,
                       uint8_t *const *source, uint32_t count, bool *chained) {
    uint64_t *slots = self->slots, mask = self->mask;
    for (uint32_t i = 0; i < count; i++) {
        scratch->slots[i] = scratch->hashes[i] & mask;
        scratch->list[i] = (uint16_t)i;
    }
    uint32_t pending = count;
    while (pending > 0) {
        uint32_t ncandidates = 0, nrejected = 0;
        for (uint32_t k = 0; k < pending; k++) {
            uint16_t i = scratch->list[k];
            uint64_t slot = scratch->slots[i], salt = scratch->hashes[i] & SLOT_SALT, entry;
            while ((entry = slots[slot]) != 0 && (entry & SLOT_SALT) != salt)
                slot = (slot + 1) & mask;
            scratch->slots[i] = slot;
            if (entry == 0) {
                slots[slot] = salt | (uint64_t)(uintptr_t)source[i];
                row_set_next(source[i], NULL);
            } else {
                scratch->candidates[ncandidates++] = i;
                scratch->rows[i] = (uint8_t *)(uintptr_t)(entry & SLOT_POINTER);
            }
        }
        uint32_t equal = ncandidates;
        for (uint32_t c = 0; c < nkeys && equal > 0; c++) {
            equal = row_match(layout, c, &keys[c], scratch->positions, scratch->rows,
                              may_null[c] ? ROW_NULLS_EQUAL : ROW_NULLS_NONE, scratch->candidates,
                              equal, scratch->rejected, &nrejected);
        }
        for (uint32_t k = 0; k < equal; k++) { /* behind the first row: the slot need not change */
            uint16_t i = scratch->candidates[k];
            row_set_next(source[i], row_next(scratch->rows[i]));
            row_set_next(scratch->rows[i], source[i]);
        }
        *chained |= equal > 0;
        for (uint32_t k = 0; k < nrejected; k++) {
            uint16_t i = scratch->rejected[k];
            scratch->slots[i] = (scratch->slots[i] + 1) & mask;
            scratch->list[k] = i;
        }
        pending = nrejected;
    }
}

/* One round: candidates with an entry of their salt; the others have no match. */
static uint32_t probe_walk(const JoinTable *tables, uint32_t shift, uint32_t partition_mask,
                           ProbeScratch *scratch, const uint16_t *list, uint32_t from, uint32_t to,
                           uint32_t ncandidates) {
    for (uint32_t k = from; k < to; k++) {
        uint16_t i = list[k];
        uint64_t hash = scratch->hashes[i], salt = hash & SLOT_SALT;
        const JoinTable *table = &tables[(hash >> shift) & partition_mask];
        uint64_t slot = scratch->slots[i], entry = 0;
        if (table->slots)
            while ((entry = table->slots[slot]) != 0 && (entry & SLOT_SALT) != salt)
                slot = (slot + 1) & table->mask;
        scratch->slots[i] = slot;
        uint8_t *row = (uint8_t *)(uintptr_t)(entry & SLOT_POINTER);
        scratch->rows[i] = row;
        __builtin_prefetch(row);
        scratch->candidates[ncandidates] = i;
        ncandidates += entry != 0;
    }
    return ncandidates;
}

/* Where the rows list[from..to) begin to walk; asks for those slots. */
static void probe_begin(const JoinTable *tables, uint32_t shift, uint32_t partition_mask,
                        ProbeScratch *scratch, const uint16_t *list, uint32_t from, uint32_t to) {
    for (uint32_t k = from; k < to; k++) {
        uint16_t i = list[k];
        uint64_t hash = scratch->hashes[i];
        const JoinTable *table = &tables[(hash >> shift) & partition_mask];
        scratch->slots[i] = hash & table->mask;
        if (table->slots) __builtin_prefetch(&table->slots[scratch->slots[i]]);
    }
}

/* The first round, in pieces as in group_walk_first. */
static uint32_t probe_walk_first(const JoinTable *tables, uint32_t shift, uint32_t partition_mask,
                                 ProbeScratch *scratch, const uint16_t *list, uint32_t count) {
    uint32_t ncandidates = 0;
    for (uint32_t from = 0, to; from < count; from = to) {
        to = count - from < PIECE ? count : from + PIECE;
        if (from == 0) probe_begin(tables, shift, partition_mask, scratch, list, from, to);
        probe_begin(tables, shift, partition_mask, scratch, list, to,
                    count - to < PIECE ? count : to + PIECE);
        ncandidates =
            probe_walk(tables, shift, partition_mask, scratch, list, from, to, ncandidates);
    }
    return ncandidates;
}

uint32_t join_table_probe(const JoinTable *tables, uint32_t shift, uint32_t partition_mask,
                          const RowLayout *layout, uint32_t nkeys, const FlatColumn *keys,
                          const bool *may_null, ProbeScratch *scratch, uint16_t *list,
                          uint32_t count) {
    uint32_t found = 0;
    for (bool first = true; count > 0; first = false) {
        uint32_t nrejected = 0;
        uint32_t equal =
            first ? probe_walk_first(tables, shift, partition_mask, scratch, list, count)
                  : probe_walk(tables, shift, partition_mask, scratch, list, 0, count, 0);
        for (uint32_t c = 0; c < nkeys && equal > 0; c++) {
            equal = row_match(layout, c, &keys[c], scratch->positions, scratch->rows,
                              may_null[c] ? ROW_NULLS_EQUAL : ROW_NULLS_NONE, scratch->candidates,
                              equal, scratch->rejected, &nrejected);
        }
        found += equal;
        for (uint32_t k = 0; k < nrejected; k++) {
            uint16_t i = scratch->rejected[k];
            uint64_t hash = scratch->hashes[i];
            scratch->slots[i] =
                (scratch->slots[i] + 1) & tables[(hash >> shift) & partition_mask].mask;
            scratch->rows[i] = NULL;
            list[k] = i;
        }
        count = nrejected;
    }
    return found;
}
