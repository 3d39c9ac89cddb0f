/*
 * join_build.c - the build side of a hash join: collecting rows, deciding what stays in memory,
 * tables.
 *
 * consume: keys are computed and hashed, rows go to radix partitions of the worker. Rows whose key
 * is NULL match nothing; they are kept only where the join puts out unmatched build rows, or where
 * NOT IN has to compare the other keys. When the grant refuses memory, partitions are written to
 * disk, the same ones by all workers.
 *
 * finish: the first task joins the workers' page lists, and makes room for the slots, spilling
 * further partitions if need be; then all tasks fill the tables of partitions in memory, each
 * partition by one task. The last one tells the scans of the probe side what to look for.
 */
#include <math.h>

#include "engine/exec/join.h"

#define FILTER_VALUES 1000 /* most values of an IN list */

typedef struct BuildLocal {
    JoinBuilder *builder;
    Evaluator *evaluator;
    Arena *arena; /* of the batch */
    uint64_t *hashes, *kept_hashes;
    uint16_t *identity, *positions, *null_positions;
    uint8_t *null_key;
    uint8_t **rows;
    FlatColumn *columns;
    JoinBound *bounds; /* by target */
    KeyRange *ranges;  /* by key */
    uint64_t ranged;   /* keys that have one */
    bool null_keys;
    /* finish */
    ProbeScratch scratch;
    ColumnRoom *rooms;
    bool finishing;
} BuildLocal;

/* ---------------------------------------------------------------- bounds of keys */

static bool bounds_possible(Type type) {
    return type_orderable(type) && !type_is_nested(type) && type.id != TRIB_TYPE_REAL &&
           type.id != TRIB_TYPE_DOUBLE;
}

/* Widens the bound by the batch's smallest and largest value. Bounds only help: without memory
 * for one, there is none. */
static Status bound_update(JoinBound *bound, const Vector *vector, const uint16_t *selection,
                           uint32_t count, Arena *arena, Error *err) {
    uint32_t least = UINT32_MAX, most = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = selection ? selection[i] : i;
        if (vector_is_null(vector, position)) continue;
        if (least == UINT32_MAX || vector_compare(vector, position, vector, least) < 0)
            least = position;
        if (most == UINT32_MAX || vector_compare(vector, position, vector, most) > 0)
            most = position;
    }
    if (least == UINT32_MAX) return TRIB_OK;
    Value value;
    TRY(vector_value(arena, vector, least, &value, err));
    if (bound->minimum.is_null || value_compare(&value, &bound->minimum) < 0)
        TRY(value_copy(arena, &value, &bound->minimum, err));
    TRY(vector_value(arena, vector, most, &value, err));
    if (bound->maximum.is_null || value_compare(&value, &bound->maximum) > 0)
        TRY(value_copy(arena, &value, &bound->maximum, err));
    return TRIB_OK;
}

static Status bounds_merge(JoinShared *self, const BuildLocal *local, Error *err) {
    for (uint32_t t = 0; t < self->node->as.join.ntargets; t++) {
        const JoinBound *from = &local->bounds[t];
        JoinBound *to = &self->bounds[t];
        if (from->minimum.is_null) continue;
        if (to->minimum.is_null || value_compare(&from->minimum, &to->minimum) < 0)
            TRY(value_copy(self->bounds_arena, &from->minimum, &to->minimum, err));
        if (to->maximum.is_null || value_compare(&from->maximum, &to->maximum) > 0)
            TRY(value_copy(self->bounds_arena, &from->maximum, &to->maximum, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- collecting */

static Status builder_new(JoinShared *shared, JoinBuilder **out, Error *err) {
    JoinBuilder *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_mutex_lock(&shared->lock);
    self->next = shared->builders;
    shared->builders = self;
    pthread_mutex_unlock(&shared->lock);
    *out = self;
    TRY(row_store_init(&self->store, shared->build_layout, &shared->space, RADIX_TOP, shared->bits,
                       err));
    return row_store_init(&self->nulls, shared->build_layout, &shared->space, RADIX_TOP, 0, err);
}

static Status build_local_new(OpContext *context, BuildLocal **out, Error *err) {
    JoinShared *shared = context->shared;
    Arena *arena = context->arena;
    const PhysNode *node = context->node;
    BuildLocal *self;
    TRY_ALLOC(self, ARENA_NEW(arena, BuildLocal), err);
    TRY(evaluator_new(arena, context->query->session, shared->nkeys,
                      (const Expr *const *)node->as.join.build_keys, &self->evaluator, err));
    TRY_ALLOC(self->arena, arena_new(arena), err);
    TRY_ALLOC(self->hashes, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(self->kept_hashes, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(self->identity, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(self->positions, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(self->null_positions, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(self->null_key, ARENA_ARRAY(arena, uint8_t, BATCH_ROWS), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, FlatColumn, shared->build_layout->ncolumns + 1),
              err);
    TRY_ALLOC(self->bounds, ARENA_ARRAY(arena, JoinBound, node->as.join.ntargets), err);
    TRY_ALLOC(self->ranges, ARENA_ARRAY(arena, KeyRange, shared->nkeys + 1), err);
    for (uint32_t k = 0; k < shared->nkeys; k++) self->ranges[k] = (KeyRange){INT64_MAX, INT64_MIN};
    self->ranged = join_filterable(shared);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) self->identity[i] = (uint16_t)i;
    for (uint32_t t = 0; t < node->as.join.ntargets; t++)
        self->bounds[t].minimum.is_null = self->bounds[t].maximum.is_null = true;
    *out = self;
    return builder_new(shared, &self->builder, err);
}

/* Marks rows with a NULL in a key: 1 where only null-aware keys are NULL, else 2. */
static bool nulls_mark(const JoinShared *shared, BuildLocal *self, const uint16_t *positions,
                       uint32_t count) {
    bool any = false;
    for (uint32_t k = 0; k < shared->nkeys; k++) {
        const uint64_t *validity = self->columns[k].validity;
        if (!validity || (shared->null_safe >> k & 1)) continue;
        if (!any) memset(self->null_key, 0, count);
        any = true;
        uint8_t mark = shared->null_aware >> k & 1 ? 1 : 2;
        for (uint32_t i = 0; i < count; i++)
            if (!bitmap_get(validity, positions[i])) self->null_key[i] |= mark;
    }
    return any;
}

/* Separates rows with NULL keys; what is left stands in positions and kept_hashes. */
static Status nulls_separate(JoinShared *shared, BuildLocal *self, const uint16_t *positions,
                             uint32_t count, uint32_t *kept, Error *err) {
    uint32_t n = 0, nulls = 0;
    for (uint32_t i = 0; i < count; i++) {
        self->positions[n] = positions[i];
        self->kept_hashes[n] = self->hashes[i];
        n += self->null_key[i] == 0;
        if (self->null_key[i] == 0) continue;
        self->null_keys |= self->null_key[i] == 1;
        if (shared->keeps_build || (shared->unknown_rows && self->null_key[i] == 1))
            self->null_positions[nulls++] = positions[i];
        else
            self->builder->dropped++;
    }
    *kept = n;
    if (nulls == 0) return TRIB_OK;
    memset(self->hashes, 0, nulls * sizeof *self->hashes);
    TRY(row_store_append(&self->builder->nulls, self->columns, self->null_positions, nulls,
                         self->hashes, self->rows, err));
    for (uint32_t i = 0; shared->keeps_build && i < nulls; i++)
        self->rows[i][shared->build_layout->tail_offset] = 0;
    return TRIB_OK;
}

static Status columns_evaluate(OpContext *context, BuildLocal *self, const Batch *in, Error *err) {
    JoinShared *shared = context->shared;
    const RowLayout *layout = shared->build_layout;
    const PhysNode *node = context->node;
    for (uint32_t c = 0; c < layout->ncolumns; c++) {
        Vector key;
        const Vector *vector = &key;
        if (c < shared->nkeys) {
            TRY(evaluator_run(self->evaluator, c, in, &key, err));
            vector_hash(&key, in->selection, in->selected, c > 0, self->hashes);
        } else {
            vector = &in->columns[shared->build_source[c]];
        }
        TRY(row_flatten(&layout->columns[c], vector, in->selection, in->selected, in->count,
                        self->arena, &self->columns[c], err));
        for (uint32_t t = 0; t < node->as.join.ntargets; t++)
            if (node->as.join.targets[t].key == c && bounds_possible(vector->type))
                TRY(bound_update(&self->bounds[t], vector, in->selection, in->selected,
                                 context->arena, err));
    }
    if (shared->nkeys == 0) memset(self->hashes, 0, in->selected * sizeof *self->hashes);
    return TRIB_OK;
}

static Status builder_relieve(JoinShared *shared, JoinBuilder *self, Error *err) {
    uint64_t before = row_store_memory(&self->store);
    self->store.pressure = false;
    if (self->nulls.pressure) TRY(row_store_spill(&self->nulls, 0, err));
    self->nulls.pressure = false;
    for (uint32_t p = self->store.npartitions; p-- > 0;) {
        uint32_t kept = atomic_load_explicit(&shared->kept, memory_order_relaxed);
        if (p < kept && row_store_memory(&self->store) <= before / 2) break;
        while (p < kept && !atomic_compare_exchange_weak(&shared->kept, &kept, p)) continue;
        TRY(row_store_spill(&self->store, p, err));
    }
    return TRIB_OK;
}

Status join_build_consume(OpContext *context, void **local, Batch *in, Error *err) {
    JoinShared *shared = context->shared;
    if (!*local) {
        BuildLocal *fresh = NULL;
        TRY(build_local_new(context, &fresh, err));
        *local = fresh;
    }
    BuildLocal *self = *local;
    if (in->selected == 0) return TRIB_OK;
    TRY(cancel_check(context->query->cancel, err));
    evaluator_reset(self->evaluator);
    arena_reset(self->arena);
    TRY(columns_evaluate(context, self, in, err));
    const uint16_t *positions = in->selection ? in->selection : self->identity;
    const uint64_t *hashes = self->hashes;
    uint32_t count = in->selected;
    if (nulls_mark(shared, self, positions, count)) {
        TRY(nulls_separate(shared, self, positions, count, &count, err));
        positions = self->positions;
        hashes = self->kept_hashes;
    }
    for (uint32_t k = 0; k < shared->nkeys; k++) {
        if (self->ranged >> k & 1)
            key_range_update(&self->ranges[k],
                             (PhysicalType)shared->build_layout->columns[k].physical,
                             &self->columns[k], positions, count);
    }
    JoinBuilder *builder = self->builder;
    TRY(row_store_append(&builder->store, self->columns, positions, count, hashes, self->rows,
                         err));
    uint32_t flag = shared->build_layout->tail_offset;
    for (uint32_t i = 0; shared->keeps_build && i < count; i++) self->rows[i][flag] = 0;
    return builder->store.pressure || builder->nulls.pressure
               ? builder_relieve(shared, builder, err)
               : TRIB_OK;
}

Status join_build_combine(OpContext *context, void *local, Error *err) {
    JoinShared *shared = context->shared;
    BuildLocal *self = local;
    if (!self) return TRIB_OK;
    pthread_mutex_lock(&shared->lock);
    for (uint32_t c = 0; c < shared->build_layout->ncolumns; c++)
        shared->may_null[c] |= self->builder->store.may_null[c] || self->builder->nulls.may_null[c];
    shared->null_keys |= self->null_keys;
    for (uint32_t k = 0; k < shared->nkeys; k++)
        key_range_merge(&shared->ranges[k], &self->ranges[k]);
    Status status = bounds_merge(shared, self, err);
    pthread_mutex_unlock(&shared->lock);
    return status;
}

/* ---------------------------------------------------------------- finish: room for the tables */

void join_file_keep(JoinShared *self, SpillFile *file) {
    pthread_mutex_lock(&self->lock);
    spill_files_add(&self->files, file);
    pthread_mutex_unlock(&self->lock);
}

static Status lists_gather(JoinShared *self, Error *err) {
    for (JoinBuilder *builder = self->builders; builder; builder = builder->next) {
        self->build_rows += builder->dropped;
        for (uint32_t p = 0; p < builder->store.npartitions; p++)
            TRY(row_store_take(&builder->store, p, &self->lists[p], err));
        TRY(row_store_take(&builder->nulls, 0, &self->nulls, err));
    }
    for (uint32_t p = 0; p < 1u << self->bits; p++) self->build_rows += self->lists[p].rows;
    self->build_rows += self->nulls.rows;
    return TRIB_OK;
}

static Status partition_spill(JoinShared *self, uint32_t p, Error *err) {
    if (self->lists[p].memory_bytes == 0) return TRIB_OK;
    if (!self->file) TRY(spill_file_new(self->query->spill, &self->file, err));
    return page_list_spill(&self->lists[p], self->build_layout, &self->space, self->file, err);
}

/* Slots for the partitions in memory, in one block; the last partitions go to disk until there
 * is room for the others. */
static Status tables_allocate(JoinShared *self, Error *err) {
    uint32_t kept = atomic_load(&self->kept);
    uint64_t slots;
    for (;;) {
        slots = 0;
        for (uint32_t p = 0; p < kept; p++)
            if (self->lists[p].rows > 0)
                slots += UINT64_C(1) << join_table_bits(self->lists[p].rows);
        if (slots == 0) break;
        TRY(block_new(&self->grant, slots * sizeof(uint64_t), false, &self->slots, err));
        if (self->slots.data) break;
        TRY(partition_spill(self, --kept, err));
    }
    uint64_t *next = self->slots.data;
    for (uint32_t p = 0; p < kept && slots > 0; p++) {
        if (self->lists[p].rows == 0) continue;
        uint64_t size = UINT64_C(1) << join_table_bits(self->lists[p].rows);
        self->tables[p] = (JoinTable){.slots = next, .mask = size - 1};
        next += size;
    }
    atomic_store(&self->kept, kept);
    return TRIB_OK;
}

static Status finish_prepare(JoinShared *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    Status status = lists_gather(self, err);
    pthread_mutex_unlock(&self->lock);
    TRY(status);
    for (uint32_t p = atomic_load(&self->kept); p < 1u << self->bits; p++)
        TRY(partition_spill(self, p, err));
    if (self->nkeys == 0) return join_range_make(self, err);
    TRY(tables_allocate(self, err));
    return join_filters_make(self, err);
}

Status join_table_fill(JoinShared *self, const RowPage *pages, uint32_t npages, JoinTable *table,
                       ProbeScratch *scratch, ColumnRoom *rooms, FlatColumn *keys, bool filtered,
                       bool *chained, Error *err) {
    const RowLayout *layout = self->build_layout;
    for (uint32_t p = 0; p < npages; p++) {
        const RowPage *page = &pages[p];
        for (uint32_t from = 0; from < page->rows; from += BATCH_ROWS) {
            uint32_t count = page_rows(page, layout, from, scratch->fresh_rows);
            for (uint32_t k = 0; k < self->nkeys; k++)
                row_gather_flat(layout, k, scratch->fresh_rows, count, self->may_null[k], &rooms[k],
                                &keys[k]);
            for (uint32_t i = 0; i < count; i++)
                scratch->hashes[i] = row_hash(scratch->fresh_rows[i]);
            scratch->positions = scratch->identity;
            if (filtered) join_filters_fill(self, keys, count);
            join_table_insert(table, layout, self->nkeys, keys, self->may_null, scratch,
                              scratch->fresh_rows, count, chained);
            TRY(cancel_check(self->query->cancel, err));
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- finish: runtime filters */

/* Inserts a value into the ascending list unless it is there. */
static void value_insert(Value *values, uint32_t *count, const Value *value) {
    uint32_t low = 0, high = *count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = value_compare(value, &values[middle]);
        if (order == 0) return;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    memmove(values + low + 1, values + low, (*count - low) * sizeof *values);
    values[low] = *value;
    (*count)++;
}

/* All values of a key; *complete = false if there are too many. */
static Status values_collect(JoinShared *self, uint32_t key, Arena *arena, Value *values,
                             uint32_t *count, bool *complete, Error *err) {
    ColumnRoom room;
    TRY(column_room_new(arena, &self->build_layout->columns[key], &room, err));
    *count = 0;
    *complete = true;
    for (uint32_t p = 0; p < 1u << self->bits; p++) {
        const JoinTable *table = &self->tables[p];
        for (uint64_t slot = 0; table->slots && slot <= table->mask; slot++) {
            if (!table->slots[slot]) continue;
            uint8_t *row = (uint8_t *)(uintptr_t)(table->slots[slot] & SLOT_POINTER);
            Vector vector;
            Value value;
            if (row_is_null(self->build_layout, row, key)) continue;
            TRY(row_gather(self->build_layout, key, &row, 1, NULL, 1, false, &room, arena, &vector,
                           err));
            TRY(vector_value(arena, &vector, 0, &value, err));
            TRY(value_copy(arena, &value, &value, err)); /* the room is used again */
            if (*count == FILTER_VALUES) {
                *complete = false;
                return TRIB_OK;
            }
            value_insert(values, count, &value);
        }
    }
    return TRIB_OK;
}

static uint64_t heads_count(const JoinShared *self) {
    uint64_t heads = 0;
    for (uint32_t p = 0; p < 1u << self->bits; p++) {
        const JoinTable *table = &self->tables[p];
        if (self->lists[p].rows > FILTER_VALUES * 16) return UINT64_MAX; /* not worth counting */
        for (uint64_t slot = 0; table->slots && slot <= table->mask; slot++)
            heads += table->slots[slot] != 0;
    }
    return heads;
}

/* Scans below a breaker leave out rows by the values of integer keys. */
static Status values_pass(OpContext *context, JoinShared *self, Error *err) {
    const PhysNode *node = context->node;
    for (uint32_t t = 0; t < node->as.join.npassed; t++) {
        const PhysFilterTarget *target = &node->as.join.passed[t];
        for (uint32_t f = 0; f < self->nfilters; f++) {
            if (self->filters[f].key != target->key) continue;
            TRY(scan_add_values(context->query->shared[target->scan->id], target->output,
                                &self->filters[f], err));
        }
    }
    return TRIB_OK;
}

static Status filters_send(OpContext *context, JoinShared *self, Error *err) {
    const PhysNode *node = context->node;
    TRY(values_pass(context, self, err));
    if (node->as.join.ntargets == 0) return TRIB_OK;
    bool few = atomic_load(&self->kept) == 1u << self->bits && heads_count(self) <= FILTER_VALUES;
    Value *values;
    TRY_ALLOC(values, ARENA_ARRAY(context->arena, Value, FILTER_VALUES + 1), err);
    for (uint32_t t = 0; t < node->as.join.ntargets; t++) {
        const PhysFilterTarget *target = &node->as.join.targets[t];
        void *scan = context->query->shared[target->scan->id];
        uint32_t count = 0;
        bool complete = false;
        if (few && type_orderable(self->build_layout->columns[target->key].type))
            TRY(values_collect(self, target->key, context->arena, values, &count, &complete, err));
        if (!complete) {
            const JoinBound *bound = &self->bounds[t];
            if (bound->minimum.is_null) continue;
            values[0] = bound->minimum;
            values[1] = bound->maximum;
            count = 2;
        }
        TRY(scan_add_filter(scan, target->output, complete, count, values, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- finish */

static Status finish_local(OpContext *context, BuildLocal *self, Error *err) {
    JoinShared *shared = context->shared;
    if (self->finishing) return TRIB_OK;
    TRY(probe_scratch_new(context->arena, &self->scratch, err));
    TRY_ALLOC(self->rooms, ARENA_ARRAY(context->arena, ColumnRoom, shared->nkeys + 1), err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(context->arena, FlatColumn, shared->nkeys + 1), err);
    for (uint32_t k = 0; k < shared->nkeys; k++)
        TRY(column_room_new(context->arena, &shared->build_layout->columns[k], &self->rooms[k],
                            err));
    self->finishing = true;
    return TRIB_OK;
}

Status join_build_finish(OpContext *context, void **local, Step *step, Error *err) {
    JoinShared *shared = context->shared;
    uint32_t phase = 0;
    *step = STEP_NEED_INPUT;
    if (!*local) TRY_ALLOC(*local, ARENA_NEW(context->arena, BuildLocal), err);
    BuildLocal *self = *local;
    if (atomic_compare_exchange_strong(&shared->phase, &phase, 1)) {
        TRY(finish_prepare(shared, err));
        if (shared->nkeys == 0 || atomic_load(&shared->kept) == 0) {
            TRY(filters_send(context, shared, err));
            atomic_store(&shared->next, 1u << shared->bits);
        }
        atomic_store(&shared->phase, 2);
    } else if (phase == 1) {
        return TRIB_OK; /* asked again: another task is preparing */
    }
    uint32_t kept = atomic_load(&shared->kept), p = atomic_fetch_add(&shared->next, 1);
    if (p >= kept) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    TRY(finish_local(context, self, err));
    bool chained = false;
    if (shared->tables[p].slots)
        TRY(join_table_fill(shared, shared->lists[p].pages, shared->lists[p].count,
                            &shared->tables[p], &self->scratch, self->rooms, self->columns, true,
                            &chained, err));
    if (chained) atomic_store(&shared->chained, true);
    if (atomic_fetch_add(&shared->built, 1) + 1 == kept) TRY(filters_send(context, shared, err));
    return TRIB_OK;
}
