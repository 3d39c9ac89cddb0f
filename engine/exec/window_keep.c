/*
 * window_keep.c - the first n rows of each partition by row_number, rank or dense_rank: leaves out the others
 * before they are sorted.
 *
 * Each worker has a table by partition of the n best rows it has seen: their order keys, normalised as for
 * sorting (sort_key.c), and where they are stored. A row that comes behind n others of its partition is not
 * stored at all; one that comes before them pushes out the last of them, which is marked as dead in the store and
 * left out when the rows are sorted. Once more rows are dead than alive the others move to new pages. What
 * stays is a little more than n rows per partition and worker; the operator's filter is above.
 *
 * The table is advice: a row that it does not know (no room, a partition key too long for its normal form, a tie
 * that rank() wants) is simply stored. If most rows are new the table is given up. After a run was written to
 * disk the bounds still hold, only the rows are out of reach.
 *
 * Ties: rows whose order keys are equal to the last one's are dropped for row_number only. Keys that were cut
 * (long text) tell rows apart if they differ, and say nothing if they are equal.
 *
 * Memory: the table, from the sort's grant; it does not grow when that refuses. Threads: one worker's own.
 */
#include "engine/exec/window_keep.h"

#include "engine/exec/row_serial.h"

#define SLOTS_FIRST    4096
#define MANY_ENTRIES   16
#define PROBES         16
#define DEAD_LEAST     4096
#define TRIAL_ROWS     (UINT64_C(1) << 18) /* after which the table must have been of use */
#define TRIAL_SHARE    8
#define TRIAL_LONG     (16 * TRIAL_ROWS) /* the same where partitions have several rows */
#define FLAG_FREE      0                 /* in the row's tail */
#define FLAG_DEAD      SORT_ROW_DEAD
#define FLAG_KEPT      2 /* an entry of the table says where it is */
#define PENDING(index) ((uint8_t *)((uintptr_t)(index)*2 + 1))

/* A slot: partition key [pwords], count, then per entry: order key [owords], address of the row. */
struct WindowKeep {
    WindowShared *shared;
    SortWorker *worker;
    SortSpec partition, order; /* over rows of key columns only */
    uint32_t nkeys;
    uint32_t *ordinals; /* [nkeys] of the columns in the input */
    uint32_t most;      /* n */
    bool strict;        /* row_number: of equal rows any may be left out */
    bool distinct;      /* dense_rank: entries are different keys */
    bool exact;         /* no order key was cut so far */
    bool refused;       /* the grant gave no room for more partitions */
    bool off;
    uint32_t entry, slot; /* words */
    Block table;
    uint64_t capacity, used;
    uint64_t seen, saved, dead;
    /* of a batch */
    Arena *arena;
    FlatColumn *columns; /* [nkeys] */
    uint8_t *memory, **rows, **heap;
    uint32_t *heap_bytes;
    uint64_t *pkeys, *okeys;
    uint16_t *selection;
    uint64_t **slots; /* by kept row: where it stands; NULL = nowhere */
    uint8_t **stored;
};

/* ---------------------------------------------------------------- making */

static Status specs_make(WindowKeep *self, Arena *arena, Error *err) {
    const PhysNode *node = self->shared->node;
    const PhysSortKey *keys = self->shared->keys;
    const PhysNode *child = node->children[0];
    uint32_t npartition = node->as.window.npartition, n = self->nkeys;
    PhysSortKey *own;
    Type *types;
    TRY_ALLOC(own, ARENA_ARRAY(arena, PhysSortKey, n), err);
    TRY_ALLOC(types, ARENA_ARRAY(arena, Type, n), err);
    TRY_ALLOC(self->ordinals, ARENA_ARRAY(arena, uint32_t, n), err);
    for (uint32_t k = 0; k < n; k++) {
        self->ordinals[k] = keys[k].ordinal;
        types[k] = child->types[keys[k].ordinal];
        own[k] = keys[k];
        own[k].ordinal = k;
    }
    TRY(sort_spec_make(arena, n, types, npartition, own, 0, &self->partition, err));
    return sort_spec_make(arena, n, types, n - npartition, own + npartition, 0, &self->order, err);
}

static Status scratch_make(WindowKeep *self, Arena *arena, Error *err) {
    uint32_t width = self->partition.layout->width;
    TRY_ALLOC(self->arena, arena_new(arena), err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, FlatColumn, self->nkeys), err);
    TRY_ALLOC(self->memory, arena_alloc(arena, (size_t)width * BATCH_ROWS), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->heap, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->heap_bytes, ARENA_ARRAY(arena, uint32_t, BATCH_ROWS), err);
    TRY_ALLOC(self->pkeys,
              arena_alloc(arena, sort_entry_bytes(&self->partition) * (BATCH_ROWS + 1)), err);
    TRY_ALLOC(self->okeys, arena_alloc(arena, sort_entry_bytes(&self->order) * (BATCH_ROWS + 1)),
              err);
    TRY_ALLOC(self->selection, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(self->slots, ARENA_ARRAY(arena, uint64_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->stored, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) self->rows[i] = self->memory + (size_t)i * width;
    return TRIB_OK;
}

/* The order that counts: for rank and dense_rank that of the function, for row_number all keys. */
static uint32_t keys_of(const PhysNode *node) {
    if (node->as.window.keep_by == TRIB_FN_row_number) return node->as.window.nkeys;
    for (uint32_t w = 0; w < node->as.window.nwindows; w++) {
        const WindowCall *call = node->as.window.windows[w].call;
        if (call->function->id == node->as.window.keep_by)
            return node->as.window.npartition + call->norder;
    }
    return node->as.window.nkeys;
}

Status window_keep_new(WindowShared *shared, SortWorker *worker, Arena *arena, WindowKeep **out,
                       Error *err) {
    const PhysNode *node = shared->node;
    WindowKeep *self;
    TRY_ALLOC(self, ARENA_NEW(arena, WindowKeep), err);
    *self = (WindowKeep){.shared = shared,
                         .worker = worker,
                         .most = node->as.window.keep,
                         .strict = node->as.window.keep_by == TRIB_FN_row_number,
                         .distinct = node->as.window.keep_by == TRIB_FN_dense_rank,
                         .exact = true,
                         .nkeys = keys_of(node)};
    TRY(specs_make(self, arena, err));
    TRY(scratch_make(self, arena, err));
    self->entry = self->order.words + 1;
    self->slot = self->partition.words + 1 + self->most * self->entry;
    *out = self;
    return TRIB_OK;
}

void window_keep_close(WindowKeep *self) {
    if (self) block_free(&self->shared->sort.grant, &self->table);
}

/* ---------------------------------------------------------------- the table */

static uint64_t *slot_at(const WindowKeep *self, const Block *table, uint64_t i) {
    return (uint64_t *)table->data + i * self->slot;
}

static uint64_t *slot_count(const WindowKeep *self, uint64_t *slot) {
    return slot + self->partition.words;
}

static uint64_t *slot_entry(const WindowKeep *self, uint64_t *slot, uint64_t i) {
    return slot + self->partition.words + 1 + i * self->entry;
}

static uint64_t key_hash(const WindowKeep *self, const uint64_t *key) {
    uint64_t hash = 0;
    for (uint32_t w = 0; w < self->partition.words; w++) {
        hash = (hash ^ key[w]) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    hash *= UINT64_C(0xBF58476D1CE4E5B9);
    return hash ^ hash >> 32;
}

/* The slot of the partition, or the free one where it goes; NULL: there is none near. */
static uint64_t *slot_find(const WindowKeep *self, const Block *table, uint64_t capacity,
                           const uint64_t *key) {
    uint64_t at = key_hash(self, key);
    size_t bytes = self->partition.words * sizeof *key;
    for (uint32_t p = 0; p < PROBES; p++, at++) {
        uint64_t *slot = slot_at(self, table, at & (capacity - 1));
        if (*slot_count(self, slot) == 0 || memcmp(slot, key, bytes) == 0) return slot;
    }
    return NULL;
}

/* A partition that has no place in the table any more: its rows are like any others. */
static void slot_leave(const WindowKeep *self, uint64_t *slot) {
    for (uint64_t e = 0; e < *slot_count(self, slot); e++) {
        uint8_t *row = (uint8_t *)(uintptr_t)slot_entry(self, slot, e)[self->order.words];
        if (row) row[self->shared->sort.spec.dead_offset] = FLAG_FREE;
    }
}

/* Makes room if the grant gives it. */
static Status table_grow(WindowKeep *self, Error *err) {
    uint64_t capacity = self->capacity * 4;
    if (capacity == 0) capacity = self->most <= MANY_ENTRIES ? SLOTS_FIRST : SLOTS_FIRST / 16;
    if (self->used * 2 < self->capacity) return TRIB_OK;
    Block table = {0};
    uint64_t words = capacity * self->slot, used = 0;
    TRY(block_new(&self->shared->sort.grant, words * sizeof(uint64_t), false, &table, err));
    self->refused = !table.data;
    if (self->refused) return TRIB_OK;
    for (uint64_t i = 0; i < self->capacity; i++) {
        uint64_t *from = slot_at(self, &self->table, i), *to;
        if (*slot_count(self, from) == 0) continue;
        to = slot_find(self, &table, capacity, from);
        if (!to) {
            slot_leave(self, from);
            continue;
        }
        memcpy(to, from, self->slot * sizeof *to);
        used++;
    }
    block_free(&self->shared->sort.grant, &self->table);
    self->table = table;
    self->capacity = capacity;
    self->used = used;
    return TRIB_OK;
}

/* What was stored is out of reach: the bounds stay. */
static void rows_forget(WindowKeep *self) {
    self->dead = 0;
    for (uint64_t i = 0; i < self->capacity; i++) {
        uint64_t *slot = slot_at(self, &self->table, i), n = *slot_count(self, slot);
        for (uint64_t e = 0; e < n; e++) slot_entry(self, slot, e)[self->order.words] = 0;
    }
}

/* ---------------------------------------------------------------- one row */

static int order_compare(const WindowKeep *self, const uint64_t *a, const uint64_t *b) {
    for (uint32_t w = 0; w < self->order.words; w++)
        if (a[w] != b[w]) return a[w] < b[w] ? -1 : 1;
    return 0;
}

/* An entry left the table: is its row one of those that nobody wants? */
static void entry_drop(WindowKeep *self, uint64_t address, bool dead, bool *pending) {
    uint8_t *row = (uint8_t *)(uintptr_t)address;
    if (address & 1) {
        pending[address / 2] = dead;
        self->slots[address / 2] = NULL;
    } else if (row) {
        row[self->shared->sort.spec.dead_offset] = dead ? FLAG_DEAD : FLAG_FREE;
        self->dead += dead;
    }
    self->saved += dead;
}

/* Is the row wanted? If it is among the first ones it becomes an entry, as the kept row `index`. */
static bool row_wanted(WindowKeep *self, uint64_t *slot, const uint64_t *key, uint32_t index,
                       bool *pending) {
    uint64_t *count = slot_count(self, slot);
    bool equal_goes = self->strict && self->exact;
    self->slots[index] = NULL;
    if (*count == self->most) {
        int order = order_compare(self, key, slot_entry(self, slot, *count - 1));
        if (order > 0 || (order == 0 && equal_goes)) return false;
        if (order == 0) return true;
    }
    uint64_t at = *count;
    while (at > 0 && order_compare(self, key, slot_entry(self, slot, at - 1)) < 0) at--;
    if (self->distinct && at > 0 && order_compare(self, key, slot_entry(self, slot, at - 1)) == 0)
        return true;
    uint64_t last = 0, *end = slot_entry(self, slot, *count), *to = slot_entry(self, slot, at);
    bool full = *count == self->most;
    uint64_t pushed[SORT_WORDS_MAX + 1];
    if (full) {
        end -= self->entry;
        memcpy(pushed, end, self->entry * sizeof *end);
        last = pushed[self->order.words];
    }
    memmove(to + self->entry, to, (size_t)(end - to) * sizeof *to);
    memcpy(to, key, self->order.words * sizeof *to);
    to[self->order.words] = (uint64_t)(uintptr_t)PENDING(index);
    self->slots[index] = slot;
    *count += !full;
    if (full) {
        const uint64_t *bound = slot_entry(self, slot, self->most - 1);
        entry_drop(self, last, equal_goes || order_compare(self, pushed, bound) > 0, pending);
    }
    return true;
}

/* ---------------------------------------------------------------- one batch */

/* Normalised keys of the selected rows; *known false: some partition key was cut. */
static Status keys_make(WindowKeep *self, const SortInput *input, const uint16_t *positions,
                        uint32_t count, bool *known, Error *err) {
    const RowLayout *layout = self->partition.layout;
    bool order = true;
    *known = true;
    arena_reset(self->arena);
    for (uint32_t k = 0; k < self->nkeys; k++) self->columns[k] = input->columns[self->ordinals[k]];
    if (layout->has_heap) {
        memset(self->heap_bytes, 0, count * sizeof *self->heap_bytes);
        row_heap_bytes(layout, self->columns, positions, count, self->heap_bytes);
        uint64_t bytes = 0;
        for (uint32_t i = 0; i < count; i++) bytes += self->heap_bytes[i];
        uint8_t *heap;
        TRY_ALLOC(heap, arena_alloc(self->arena, bytes ? bytes : 1), err);
        for (uint32_t i = 0; i < count; heap += self->heap_bytes[i++]) self->heap[i] = heap;
    }
    row_scatter(layout, self->columns, positions, count, self->rows, self->heap);
    sort_keys_encode(&self->partition, self->rows, count, self->pkeys, known);
    sort_keys_encode(&self->order, self->rows, count, self->okeys, &order);
    self->exact = self->exact && order;
    return TRIB_OK;
}

/* The positions of the rows that are wanted; their number. */
static uint32_t rows_choose(WindowKeep *self, const uint16_t *positions, uint32_t count) {
    bool gone[BATCH_ROWS]; /* by chosen row: pushed out by one behind it */
    uint32_t n = 0, kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t *key = self->pkeys + (size_t)i * (self->partition.words + 1);
        const uint64_t *order = self->okeys + (size_t)i * (self->order.words + 1);
        uint64_t *slot = slot_find(self, &self->table, self->capacity, key);
        gone[n] = false;
        self->slots[n] = NULL;
        if (slot && *slot_count(self, slot) == 0) {
            memcpy(slot, key, self->partition.words * sizeof *key);
            self->used++;
        }
        if (slot && !row_wanted(self, slot, order, n, gone)) {
            self->saved++;
            continue;
        }
        self->selection[n++] = positions[i];
    }
    /* Those pushed out within the batch are not stored either; entries name rows by their new number. */
    for (uint32_t i = 0; i < n; i++) {
        uint64_t *slot = self->slots[i];
        if (gone[i]) continue;
        for (uint64_t e = 0; slot && e < *slot_count(self, slot); e++) {
            uint64_t *address = slot_entry(self, slot, e) + self->order.words;
            if (*address == (uint64_t)(uintptr_t)PENDING(i)) {
                self->slots[kept] = slot;
                *address = (uint64_t)(uintptr_t)PENDING(kept);
                break;
            }
        }
        if (!slot) self->slots[kept] = NULL;
        self->selection[kept++] = self->selection[i];
    }
    return kept;
}

/* The rows have their places: entries and tails learn of it. */
static void rows_placed(WindowKeep *self, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *slot = self->slots[i];
        uint8_t *row = self->stored[i];
        row[self->shared->sort.spec.dead_offset] = slot ? FLAG_KEPT : FLAG_FREE;
        for (uint64_t e = 0; slot && e < *slot_count(self, slot); e++) {
            uint64_t *address = slot_entry(self, slot, e) + self->order.words;
            if (*address != (uint64_t)(uintptr_t)PENDING(i)) continue;
            *address = (uint64_t)(uintptr_t)row;
            break;
        }
    }
}

/* ---------------------------------------------------------------- moving what is alive */

static Status entries_move(WindowKeep *self, Error *err) {
    RowStore *store = &self->worker->store;
    for (uint64_t i = 0; i < self->capacity; i++) {
        uint64_t *slot = slot_at(self, &self->table, i), n = *slot_count(self, slot);
        for (uint64_t e = 0; e < n; e++) {
            uint64_t *address = slot_entry(self, slot, e) + self->order.words;
            uint8_t *row = (uint8_t *)(uintptr_t)*address, *moved;
            if (!row) continue;
            TRY(row_store_copy(store, &row, 1, NULL, &moved, err));
            *address = (uint64_t)(uintptr_t)moved;
        }
    }
    return TRIB_OK;
}

static Status others_move(WindowKeep *self, const PageList *old, Error *err) {
    const SortSpec *spec = &self->shared->sort.spec;
    uint8_t *rows[BATCH_ROWS];
    for (uint32_t p = 0; p < old->count; p++) {
        const RowPage *page = &old->pages[p];
        for (uint32_t from = 0, count; from < page->rows; from += count) {
            count = page_rows(page, spec->layout, from, rows);
            for (uint32_t i = 0; i < count; i++) {
                uint8_t *moved;
                if (rows[i][spec->dead_offset] != FLAG_FREE) continue;
                TRY(row_store_copy(&self->worker->store, &rows[i], 1, NULL, &moved, err));
            }
        }
    }
    return TRIB_OK;
}

static Status rows_move(WindowKeep *self, Error *err) {
    SortShared *sort = &self->shared->sort;
    RowStore *store = &self->worker->store;
    row_store_sync(store);
    if (self->dead < DEAD_LEAST || self->dead < store->lists[0].rows / 2) return TRIB_OK;
    PageList old = store->lists[0];
    store->lists[0] = (PageList){0};
    row_store_restart(store, 0);
    Status status = entries_move(self, err);
    if (status == TRIB_OK) status = others_move(self, &old, err);
    page_list_clear(&old, &sort->space);
    row_store_sync(store);
    grant_shrink(&sort->grant, self->worker->reserved);
    self->worker->reserved = (int64_t)(store->lists[0].rows * sort_entry_bytes(&sort->spec));
    grant_force(&sort->grant, self->worker->reserved);
    store->pressure = false; /* the memory of the dead is free again */
    self->dead = 0;
    return status;
}

/* ---------------------------------------------------------------- the operator's side */

static Status give_up(WindowKeep *self) {
    if (self->seen < TRIAL_ROWS || self->saved >= self->seen / TRIAL_SHARE) return TRIB_OK;
    bool single = self->used >= self->seen / 10 * 9; /* partitions of hardly more than a row */
    if (!single && !self->refused && self->seen < TRIAL_LONG) return TRIB_OK;
    self->off = true;
    block_free(&self->shared->sort.grant, &self->table);
    self->capacity = self->used = 0;
    return TRIB_OK;
}

Status window_keep_append(WindowKeep *self, SortInput *input, const Batch *in, Error *err) {
    SortShared *sort = &self->shared->sort;
    SortWorker *worker = self->worker;
    const uint16_t *positions = in->selection ? in->selection : input->identity;
    uint32_t count = in->selected;
    bool known = false;
    if (self->off)
        return sort_worker_append(sort, worker, input, in, in->selection, in->selected, err);
    TRY(sort_input_flatten(sort, input, in, in->selection, count, err));
    TRY(table_grow(self, err));
    if (self->table.data) TRY(keys_make(self, input, positions, count, &known, err));
    for (uint32_t i = 0; i < count && !known; i++) self->slots[i] = NULL;
    if (known) {
        self->seen += count;
        count = rows_choose(self, positions, count);
        positions = self->selection;
    }
    if (count == 0) return TRIB_OK;
    TRY(row_store_append(&worker->store, input->columns, positions, count, input->hashes,
                         self->stored, err));
    rows_placed(self, count);
    sort_worker_reserve(sort, worker, count);
    TRY(give_up(self));
    if (!self->off) TRY(rows_move(self, err));
    if (!worker->store.pressure) return TRIB_OK;
    rows_forget(self);
    return sort_worker_run(sort, worker, false, err);
}
