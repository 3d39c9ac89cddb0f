/*
 * aggregate_merge.c - the source of op_aggregate: partitions of rows become groups.
 *
 * A job is all rows of one partition, from all workers, in memory and on disk. Merging walks its
 * pages: a row whose group has not been seen becomes the group's row (rows in memory stay where
 * they are, others are copied), any other is combined into it. Then the groups are put out, and the
 * memory goes.
 *
 * When memory ends in the midst of it, the groups so far and the pages not yet read are split by
 * the next bits of their hashes into jobs of their own, on disk. With all bits used (a partition of
 * groups with the same 16 bits) what is needed is taken beyond the grant.
 *
 * Threads: each worker merges jobs of its own; the stack of jobs is guarded by the lock of
 * AggShared.
 */
#include "engine/exec/aggregate.h"
#include "engine/exec/query_space.h"

#define SPLIT_BITS       4
#define SPLIT_ROWS       4096 /* a smaller job is finished whatever the grant says */
#define TABLE_BITS_LEAST 10

struct AggSource {
    AggShared *shared;
    Arena *arena;  /* of this struct */
    Arena *batch;  /* emptied with each batch of rows */
    Arena *states; /* what states of the job point to */
    int64_t charged;
    ProbeScratch scratch;
    ColumnRoom *rooms; /* keys while merging */
    FlatColumn *keys;
    uint8_t **source, **into, **from, **unpacked;
    bool *fresh; /* by row of the batch: its group is new */
    bool copy;   /* the batch's rows lie in memory that goes away */
    AggPacker packer;
    bool packer_made;

    bool active; /* a job is being put out */
    AggJob job;
    RowStore merged; /* groups of rows that came from disk */
    bool merged_made;
    GroupTable table;
    bool pressure;
    uint64_t slot;      /* next to put out */
    uint32_t page, row; /* likewise, when nothing was to be merged */
    ColumnRoom *out;    /* keys and results */
};

/* ---------------------------------------------------------------- life */

static Status source_build(AggSource *self, Error *err) {
    AggShared *shared = self->shared;
    Arena *arena = self->arena;
    uint32_t nkeys = shared->ngroups, ncolumns = nkeys + shared->nstates;
    TRY_ALLOC(self->batch, arena_new(arena), err);
    TRY_ALLOC(self->states, arena_new(arena), err);
    TRY(probe_scratch_new(arena, &self->scratch, err));
    TRY_ALLOC(self->rooms, ARENA_ARRAY(arena, ColumnRoom, nkeys), err);
    TRY_ALLOC(self->keys, ARENA_ARRAY(arena, FlatColumn, nkeys), err);
    TRY_ALLOC(self->out, ARENA_ARRAY(arena, ColumnRoom, ncolumns), err);
    for (uint32_t c = 0; c < nkeys; c++) {
        TRY(column_room_new(arena, &shared->layout->columns[c], &self->rooms[c], err));
        TRY(column_room_new(arena, &shared->layout->columns[c], &self->out[c], err));
    }
    for (uint32_t a = 0; a < shared->nstates; a++) {
        size_t size = physical_size(type_physical(shared->states[a].result));
        TRY_ALLOC(self->out[nkeys + a].data, arena_array(arena, BATCH_ROWS, size), err);
    }
    TRY_ALLOC(self->source, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->into, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->from, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->fresh, ARENA_ARRAY(arena, bool, BATCH_ROWS), err);
    if (agg_states_raw(shared)) return TRIB_OK;
    /* Rows in which packed states are unpacked before they are combined. */
    TRY_ALLOC(self->unpacked, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    uint8_t *rows;
    TRY_ALLOC(rows, arena_array(arena, BATCH_ROWS, shared->layout->width), err);
    for (uint32_t i = 0; i < BATCH_ROWS; i++)
        self->unpacked[i] = rows + (size_t)i * shared->layout->width;
    return TRIB_OK;
}

static Status source_new(AggShared *shared, AggSource **out, Error *err) {
    AggSource *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    *out = self;
    self->shared = shared;
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    return source_build(self, err);
}

/* The table's memory is kept for the next job. */
static void job_end(AggSource *self) {
    AggShared *shared = self->shared;
    if (self->merged_made) row_store_clear(&self->merged);
    self->merged_made = false;
    page_list_clear(&self->job.pages, &shared->space);
    page_list_clear(&self->job.packed, &shared->space);
    if (self->states) arena_reset(self->states);
    grant_shrink(&shared->grant, self->charged);
    self->charged = 0;
    self->active = false;
}

void agg_source_free(AggSource *self) {
    if (!self) return;
    job_end(self);
    group_table_clear(&self->table);
    arena_free(self->arena);
    heap_free(self);
}

/* ---------------------------------------------------------------- merging */

static bool may_split(const AggSource *self) {
    return self->job.top >= RADIX_TOP - RADIX_BITS_MAX + SPLIT_BITS &&
           self->job.pages.rows + self->job.packed.rows > SPLIT_ROWS;
}

/* Rows for new groups of the batch. */
static Status groups_make(void *context, const uint16_t *fresh, uint32_t count, Error *err) {
    AggSource *self = context;
    ProbeScratch *scratch = &self->scratch;
    for (uint32_t k = 0; k < count; k++) self->fresh[fresh[k]] = true;
    if (!self->copy) {
        for (uint32_t k = 0; k < count; k++) scratch->rows[fresh[k]] = self->source[fresh[k]];
        return TRIB_OK;
    }
    if (agg_states_raw(self->shared)) {
        for (uint32_t k = 0; k < count; k++) self->from[k] = self->source[fresh[k]];
        TRY(row_store_copy(&self->merged, self->from, count, NULL, scratch->fresh_rows, err));
    } else {
        for (uint32_t k = 0; k < count; k++) {
            scratch->fresh_positions[k] = fresh[k];
            scratch->fresh_hashes[k] = scratch->hashes[fresh[k]];
        }
        TRY(row_store_append(&self->merged, self->keys, scratch->fresh_positions, count,
                             scratch->fresh_hashes, scratch->fresh_rows, err));
        /* The unpacked states move in; what they point to lives as long as the job. */
        for (uint32_t k = 0; k < count; k++)
            memcpy(scratch->fresh_rows[k] + self->shared->layout->tail_offset,
                   self->source[fresh[k]] + self->shared->layout->tail_offset,
                   self->shared->states_bytes);
    }
    for (uint32_t k = 0; k < count; k++) scratch->rows[fresh[k]] = scratch->fresh_rows[k];
    return TRIB_OK;
}

static Status room_reserve(AggSource *self, uint32_t count, Error *err) {
    bool refused;
    TRY(group_table_reserve(&self->table, count, false, &refused, err));
    if (!refused) return TRIB_OK;
    self->pressure = true;
    return group_table_reserve(&self->table, count, true, &refused, err);
}

/* Merges a batch: keys and hashes are set, source[] has the states. */
static Status batch_merge(AggSource *self, uint32_t count, Error *err) {
    AggShared *shared = self->shared;
    ProbeScratch *scratch = &self->scratch;
    TRY(room_reserve(self, count, err));
    memset(self->fresh, 0, count * sizeof *self->fresh);
    scratch->positions = scratch->identity;
    GroupKeys keys = {.layout = shared->layout,
                      .count = shared->ngroups,
                      .columns = self->keys,
                      .may_null = shared->may_null};
    TRY(group_table_find(&self->table, &keys, scratch, count, groups_make, self, err));
    uint32_t old = 0;
    for (uint32_t i = 0; i < count; i++) {
        self->into[old] = scratch->rows[i];
        self->from[old] = self->source[i];
        old += !self->fresh[i];
    }
    if (old > 0) TRY(agg_states_combine(shared, self->into, self->from, old, self->states, err));
    int64_t grown = (int64_t)arena_bytes(self->states) - self->charged;
    if (grown > 0 && !agg_states_raw(shared)) {
        self->charged += grown;
        if (!grant_try(&shared->grant, grown)) {
            grant_force(&shared->grant, grown);
            self->pressure = true;
            if (!may_split(self))
                TRY(query_space_check(&shared->grant, "for the value of an aggregate", err));
        }
    }
    if (self->merged_made && self->merged.pressure) self->pressure = true;
    return cancel_check(shared->query->cancel, err);
}

static Status page_merge(AggSource *self, const RowPage *page, uint32_t *from, Error *err) {
    const RowLayout *layout = self->shared->layout;
    while (*from < page->rows && !(self->pressure && may_split(self))) {
        uint32_t count = page_rows(page, layout, *from, self->source);
        for (uint32_t c = 0; c < self->shared->ngroups; c++)
            row_gather_flat(layout, c, self->source, count, self->shared->may_null[c],
                            &self->rooms[c], &self->keys[c]);
        for (uint32_t i = 0; i < count; i++) self->scratch.hashes[i] = row_hash(self->source[i]);
        TRY(batch_merge(self, count, err));
        *from += count;
    }
    return TRIB_OK;
}

/* A page of which each row is a group of its own. */
static Status page_enter(AggSource *self, const RowPage *page, uint32_t *from, Error *err) {
    if (self->pressure && may_split(self)) return TRIB_OK;
    TRY(room_reserve(self, page->rows, err));
    for (uint32_t i = 0; i < page->rows; i++)
        group_table_put(&self->table, page_row(page, self->shared->layout, i));
    *from = page->rows;
    return cancel_check(self->shared->query->cancel, err);
}

/* Rows with packed states: unpacked next to their keys. */
static Status packed_page_merge(AggSource *self, const RowPage *page, uint32_t *from, Error *err) {
    AggShared *shared = self->shared;
    uint8_t **rows = self->into; /* free until the batch is merged */
    while (*from < page->rows && !(self->pressure && may_split(self))) {
        uint32_t count = page_rows(page, shared->packed, *from, rows);
        for (uint32_t c = 0; c < shared->ngroups; c++)
            row_gather_flat(shared->packed, c, rows, count, true, &self->rooms[c], &self->keys[c]);
        arena_reset(self->batch);
        StrView *views;
        TRY_ALLOC(views, ARENA_ARRAY(self->batch, StrView, count), err);
        for (uint32_t i = 0; i < count; i++) {
            memcpy(&views[i], rows[i] + shared->packed->columns[shared->ngroups].offset,
                   sizeof views[i]);
            self->scratch.hashes[i] = row_hash(rows[i]);
            self->source[i] = self->unpacked[i];
        }
        TRY(agg_states_unpack(shared, views, count, self->unpacked, self->states, err));
        TRY(batch_merge(self, count, err));
        *from += count;
    }
    return TRIB_OK;
}

static Status merged_begin(AggSource *self, Error *err) {
    if (self->merged_made) return TRIB_OK;
    self->merged_made = true;
    return row_store_init(&self->merged, self->shared->layout, &self->shared->space, RADIX_TOP, 0,
                          err);
}

/* ---------------------------------------------------------------- splitting */

/* Where merging stopped: pages before it are in the table. */
typedef struct Rest {
    uint32_t page, row;
    bool packed;
} Rest;

typedef struct Split {
    AggSource *source;
    RowStore store; /* of the packed layout when states have pointers */
} Split;

static Status split_relieve(Split *self, bool force, Error *err) {
    if (!force && !self->store.pressure) return TRIB_OK;
    for (uint32_t p = 0; p < self->store.npartitions; p++)
        TRY(row_store_spill(&self->store, p, err));
    self->store.pressure = false;
    return cancel_check(self->source->shared->query->cancel, err);
}

/* Rows of the normal layout. */
static Status split_rows(Split *self, uint8_t *const *rows, uint32_t count, Error *err) {
    AggSource *source = self->source;
    if (agg_states_raw(source->shared)) {
        for (uint32_t i = 0; i < count; i++) source->scratch.hashes[i] = row_hash(rows[i]);
        TRY(row_store_copy(&self->store, rows, count, source->scratch.hashes,
                           source->scratch.fresh_rows, err));
    } else {
        TRY(agg_pack_rows(&source->packer, source->shared, rows, count, &self->store, err));
    }
    return split_relieve(self, false, err);
}

static Status split_groups(Split *self, Error *err) {
    AggSource *source = self->source;
    uint32_t count = 0;
    for (uint64_t slot = 0; source->table.slots && slot <= source->table.mask; slot++) {
        uint64_t entry = source->table.slots[slot];
        if (!entry) continue;
        source->into[count++] = (uint8_t *)(uintptr_t)(entry & SLOT_POINTER);
        if (count < BATCH_ROWS) continue;
        TRY(split_rows(self, source->into, count, err));
        count = 0;
    }
    return count ? split_rows(self, source->into, count, err) : TRIB_OK;
}

static Status split_page(Split *self, RowPage *page, const RowLayout *layout, uint32_t from,
                         bool packed, Error *err) {
    AggSource *source = self->source;
    bool loaded, was = page->data != NULL;
    TRY(page_load(page, layout, &source->shared->space, true, &loaded, err));
    for (uint32_t count; from < page->rows; from += count) {
        count = page_rows(page, layout, from, source->into);
        if (!packed) {
            TRY(split_rows(self, source->into, count, err));
            continue;
        }
        for (uint32_t i = 0; i < count; i++) source->scratch.hashes[i] = row_hash(source->into[i]);
        TRY(row_store_copy(&self->store, source->into, count, source->scratch.hashes,
                           source->scratch.fresh_rows, err));
        TRY(split_relieve(self, false, err));
    }
    if (!was) page_unload(page, &source->shared->space);
    return TRIB_OK;
}

static Status split_rest(Split *self, const Rest *rest, Error *err) {
    AggSource *source = self->source;
    AggShared *shared = source->shared;
    AggJob *job = &source->job;
    if (!rest->packed)
        for (uint32_t p = rest->page; p < job->pages.count; p++)
            TRY(split_page(self, &job->pages.pages[p], shared->layout,
                           p == rest->page ? rest->row : 0, false, err));
    for (uint32_t p = rest->packed ? rest->page : 0; p < job->packed.count; p++)
        TRY(split_page(self, &job->packed.pages[p], shared->packed,
                       rest->packed && p == rest->page ? rest->row : 0, true, err));
    return TRIB_OK;
}

static Status split_push(Split *self, Error *err) {
    AggShared *shared = self->source->shared;
    bool packed = !agg_states_raw(shared);
    /* before the pages leave the store, whose file would go with it if one of them cannot */
    agg_file_keep(shared, row_store_take_file(&self->store));
    for (uint32_t p = 0; p < self->store.npartitions; p++) {
        if (self->store.lists[p].count == 0) continue;
        AggJob job = {.top = self->source->job.top - SPLIT_BITS};
        TRY(row_store_take(&self->store, p, packed ? &job.packed : &job.pages, err));
        Status status = agg_job_push(shared, &job, err);
        if (status != TRIB_OK) {
            page_list_clear(&job.pages, &shared->space);
            page_list_clear(&job.packed, &shared->space);
            return status;
        }
    }
    return TRIB_OK;
}

/* The job cannot be merged within the memory there is: makes 16 smaller ones of it. */
static Status job_split(AggSource *self, const Rest *rest, Error *err) {
    AggShared *shared = self->shared;
    Split split = {.source = self};
    if (!agg_states_raw(shared) && !self->packer_made) {
        TRY(agg_packer_new(shared, self->scratch.identity, self->arena, &self->packer, err));
        self->packer_made = true;
    }
    Status status =
        row_store_init(&split.store, agg_states_raw(shared) ? shared->layout : shared->packed,
                       &shared->space, self->job.top, SPLIT_BITS, err);
    if (status == TRIB_OK) status = split_groups(&split, err);
    if (status == TRIB_OK) status = split_rest(&split, rest, err);
    if (status == TRIB_OK) status = split_relieve(&split, true, err);
    if (status == TRIB_OK) status = split_push(&split, err);
    row_store_clear(&split.store);
    job_end(self);
    return status;
}

/* ---------------------------------------------------------------- jobs */

static bool job_pop(AggShared *shared, AggJob *out) {
    pthread_mutex_lock(&shared->lock);
    bool some = shared->njobs > 0;
    if (some) *out = shared->jobs[--shared->njobs];
    pthread_mutex_unlock(&shared->lock);
    return some;
}

static Status table_begin(AggSource *self, Error *err) {
    uint64_t rows = self->job.pages.rows + self->job.packed.rows;
    uint32_t bits = TABLE_BITS_LEAST;
    while ((UINT64_C(1) << bits) < rows) bits++;
    if (self->table.slots && self->table.mask + 1 >= UINT64_C(1) << bits &&
        self->table.mask + 1 <= UINT64_C(4) << bits) {
        group_table_empty(&self->table);
        return TRIB_OK;
    }
    group_table_clear(&self->table);
    TRY(group_table_init(&self->table, &self->shared->grant, bits, false, err));
    return self->table.slots
               ? TRIB_OK
               : group_table_init(&self->table, &self->shared->grant, TABLE_BITS_LEAST, true, err);
}

/* Reads a list's pages one after the other; false in *done when memory ended. */
static Status list_merge(AggSource *self, PageList *list, bool packed, bool on_disk, Rest *rest,
                         bool *done, Error *err) {
    const RowLayout *layout = packed ? self->shared->packed : self->shared->layout;
    *done = false;
    for (uint32_t p = 0; p < list->count; p++) {
        RowPage *page = &list->pages[p];
        if ((page->nblocks > 0) != on_disk) continue;
        *rest = (Rest){.page = p, .packed = packed};
        bool loaded;
        TRY(page_load(page, layout, &self->shared->space, true, &loaded, err));
        self->copy = on_disk;
        if (!packed && p < self->job.unlike)
            TRY(page_enter(self, page, &rest->row, err));
        else
            TRY(packed ? packed_page_merge(self, page, &rest->row, err)
                       : page_merge(self, page, &rest->row, err));
        if (rest->row < page->rows) return TRIB_OK;
        if (on_disk) page_unload(page, &self->shared->space);
    }
    *done = true;
    return TRIB_OK;
}

/* Brings the pages in memory to the front, so that "the pages from here on" are those not yet
 * merged. */
static void list_order(PageList *list) {
    uint32_t front = 0;
    for (uint32_t p = 0; p < list->count; p++) {
        if (list->pages[p].nblocks > 0) continue;
        RowPage page = list->pages[p];
        list->pages[p] = list->pages[front];
        list->pages[front++] = page;
    }
}

static Status job_merge(AggSource *self, bool *ready, Error *err) {
    Rest rest = {0};
    bool done;
    *ready = false;
    self->pressure = false;
    list_order(&self->job.pages);
    TRY(table_begin(self, err));
    TRY(merged_begin(self, err));
    TRY(list_merge(self, &self->job.pages, false, false, &rest, &done, err));
    if (done) TRY(list_merge(self, &self->job.pages, false, true, &rest, &done, err));
    if (done) TRY(list_merge(self, &self->job.packed, true, true, &rest, &done, err));
    if (!done) return job_split(self, &rest, err);
    *ready = true;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- putting out */

static uint32_t groups_next(AggSource *self, uint32_t most) {
    AggShared *shared = self->shared;
    uint32_t count = 0;
    if (shared->distinct) {
        while (count == 0 && self->page < self->job.pages.count) {
            const RowPage *page = &self->job.pages.pages[self->page];
            count = page_rows(page, shared->layout, self->row, self->source);
            if (count > most) count = most;
            self->row += count;
            if (self->row == page->rows) {
                self->page++;
                self->row = 0;
            }
        }
        return count;
    }
    for (; self->slot <= self->table.mask && count < most; self->slot++) {
        uint64_t entry = self->table.slots[self->slot];
        self->source[count] = (uint8_t *)(uintptr_t)(entry & SLOT_POINTER);
        count += entry != 0;
    }
    return count;
}

static Status groups_put(AggSource *self, uint32_t count, Batch *out, Error *err) {
    AggShared *shared = self->shared;
    uint32_t nkeys = shared->ngroups;
    TRY(batch_columns(out, nkeys + shared->nstates, err));
    for (uint32_t c = 0; c < nkeys; c++)
        TRY(row_gather(shared->layout, c, self->source, count, NULL, count, shared->may_null[c],
                       &self->out[c], out->arena, &out->columns[c], err));
    for (uint32_t a = 0; a < shared->nstates; a++)
        TRY(agg_result_column(&shared->states[a], self->source, shared->layout->tail_offset, count,
                              &self->out[nkeys + a], out->arena, &out->columns[nkeys + a], err));
    out->count = out->selected = count;
    return TRIB_OK;
}

Status agg_source_produce(OpContext *context, AggSource **source, Batch *out, Step *step,
                          Error *err) {
    AggShared *shared = context->shared;
    if (!*source) TRY(source_new(shared, source, err));
    AggSource *self = *source;
    uint32_t most = context->query->batch_rows;
    if (most > BATCH_ROWS || most == 0) most = BATCH_ROWS;
    for (;;) {
        if (self->active) {
            uint32_t count = groups_next(self, most);
            *step = STEP_HAVE_OUTPUT;
            if (count > 0) return groups_put(self, count, out, err);
            job_end(self);
        }
        *step = STEP_FINISHED;
        if (!job_pop(shared, &self->job)) return TRIB_OK;
        self->active = true;
        self->slot = 0;
        self->page = self->row = 0;
        if (!shared->distinct) TRY(job_merge(self, &self->active, err));
    }
}
