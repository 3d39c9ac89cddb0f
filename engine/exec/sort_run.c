/*
 * sort_run.c - collecting rows, sorting them, runs in memory and on disk.
 *
 * Rows are kept as they come; the memory for their entries is charged along with them, so that
 * sorting never lacks it. When the grant refuses more, all rows of the worker are sorted and
 * written to disk in order, each with its key in front, and the worker begins anew. With a limit
 * only as many rows as it asks for survive.
 */
#include "engine/exec/sort.h"

#define RUN_PIECE (UINT64_C(256) * 1024) /* a run being written takes about so much memory */

/* Rows that a limit lets through; UINT64_MAX without one. */
static uint64_t limit_rows(const SortShared *self) {
    if (self->limit < 0) return UINT64_MAX;
    return (uint64_t)self->limit + (uint64_t)self->offset;
}

Status sort_worker_new(SortShared *shared, SortWorker **out, Error *err) {
    SortWorker *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_mutex_lock(&shared->lock);
    self->next = shared->workers;
    shared->workers = self;
    pthread_mutex_unlock(&shared->lock);
    TRY(row_store_init(&self->store, shared->spec.layout, &shared->space, RADIX_TOP, 0, err));
    TRY(row_store_init(&self->writer, shared->spec.run_layout, &shared->run_space, RADIX_TOP, 0,
                       err));
    *out = self;
    return TRIB_OK;
}

Status sort_input_new(const SortShared *shared, Arena *arena, SortInput *out, Error *err) {
    TRY_ALLOC(out->columns, ARENA_ARRAY(arena, FlatColumn, shared->spec.layout->ncolumns + 1), err);
    TRY_ALLOC(out->identity, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(out->hashes, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(out->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(out->arena, arena_new(arena), err);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) out->identity[i] = (uint16_t)i;
    return TRIB_OK;
}

Status sort_input_flatten(const SortShared *shared, SortInput *input, const Batch *in,
                          const uint16_t *selection, uint32_t count, Error *err) {
    const RowLayout *layout = shared->spec.layout;
    arena_reset(input->arena);
    for (uint32_t c = 0; c < layout->ncolumns; c++)
        TRY(row_flatten(&layout->columns[c], &in->columns[c], selection, count, in->count,
                        input->arena, &input->columns[c], err));
    return TRIB_OK;
}

void sort_worker_reserve(SortShared *shared, SortWorker *self, uint32_t count) {
    int64_t entries = (int64_t)(count * sort_entry_bytes(&shared->spec));
    self->reserved += entries;
    if (!grant_try(&shared->grant, entries)) {
        grant_force(&shared->grant, entries);
        self->store.pressure = true;
    }
}

Status sort_worker_append(SortShared *shared, SortWorker *self, SortInput *input, const Batch *in,
                          const uint16_t *selection, uint32_t count, Error *err) {
    TRY(sort_input_flatten(shared, input, in, selection, count, err));
    TRY(row_store_append(&self->store, input->columns, selection ? selection : input->identity,
                         count, input->hashes, input->rows, err));
    for (uint32_t i = 0; i < count && shared->spec.dead_offset; i++)
        input->rows[i][shared->spec.dead_offset] = 0;
    sort_worker_reserve(shared, self, count);
    return self->store.pressure ? sort_worker_run(shared, self, false, err) : TRIB_OK;
}

/* Leaves out the dead rows' addresses. */
static uint32_t rows_alive(const SortSpec *spec, uint8_t **rows, uint32_t count) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[n] = rows[i];
        n += rows[i][spec->dead_offset] != SORT_ROW_DEAD;
    }
    return n;
}

Status sort_worker_entries(SortShared *shared, SortWorker *self, bool force, Block *entries,
                           uint64_t *rows, bool *exact, Error *err) {
    const SortSpec *spec = &shared->spec;
    row_store_sync(&self->store);
    PageList *list = &self->store.lists[0];
    *rows = list->rows;
    *exact = true;
    grant_shrink(&shared->grant, self->reserved);
    self->reserved = 0;
    uint64_t bytes = list->rows * sort_entry_bytes(spec);
    TRY(block_new(&shared->grant, bytes ? bytes : 8, force, entries, err));
    if (!entries->data) return TRIB_OK;
    uint64_t *at = entries->data;
    uint8_t *addresses[BATCH_ROWS];
    Status status = TRIB_OK;
    for (uint32_t p = 0; p < list->count && status == TRIB_OK; p++) {
        const RowPage *page = &list->pages[p];
        for (uint32_t from = 0, count; from < page->rows && status == TRIB_OK; from += count) {
            count = page_rows(page, spec->layout, from, addresses);
            uint32_t live = spec->dead_offset ? rows_alive(spec, addresses, count) : count;
            if (live) sort_keys_encode(spec, addresses, live, at, exact);
            at += (uint64_t)live * (spec->words + 1);
            status = cancel_check(shared->query->cancel, err);
        }
    }
    *rows = (uint64_t)(at - (uint64_t *)entries->data) / (spec->words + 1);
    if (status == TRIB_OK)
        status = sort_entries(spec, entries->data, *rows, *exact, shared->query->cancel, err);
    if (status != TRIB_OK) block_free(&shared->grant, entries);
    return status;
}

/* ---------------------------------------------------------------- runs on disk */

Status sort_writer_add(SortShared *shared, RowStore *writer, const uint64_t *key,
                       const uint8_t *row, Error *err) {
    const SortSpec *spec = &shared->spec;
    uint8_t *to, *heap;
    TRY(row_store_room(writer, 0, row_copy_bytes(spec->layout, row), &to, &heap, err));
    memcpy(to, key, spec->words * sizeof *key);
    row_copy(spec->layout, row, to + spec->run_layout->front, &heap);
    if (writer->lists[0].memory_bytes <= RUN_PIECE) return TRIB_OK;
    writer->pressure = false;
    TRY(cancel_check(shared->query->cancel, err));
    return row_store_spill(writer, 0, err);
}

Status sort_writer_end(RowStore *writer, SortRun *out, Error *err) {
    TRY(row_store_spill(writer, 0, err));
    writer->pressure = false;
    out->on_disk = true;
    out->rows = writer->lists[0].rows;
    return row_store_take(writer, 0, &out->pages, err);
}

static Status run_write(SortShared *shared, SortWorker *self, const uint64_t *entries,
                        uint64_t rows, SortRun *run, Error *err) {
    const SortSpec *spec = &shared->spec;
    uint64_t most = limit_rows(shared);
    for (uint64_t i = 0; i < rows && i < most; i++, entries += spec->words + 1)
        TRY(sort_writer_add(shared, &self->writer, entries, sort_entry_row(spec, entries), err));
    return sort_writer_end(&self->writer, run, err);
}

void sort_run_clear(SortShared *self, SortRun *run) {
    block_free(&self->grant, &run->entries);
    page_list_clear(&run->pages, &self->space);
    *run = (SortRun){0};
}

Status sort_run_add(SortShared *self, SortRun *run, Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    if (self->nruns == self->runs_capacity) {
        uint32_t capacity = self->runs_capacity ? self->runs_capacity * 2 : 16;
        SortRun *runs = heap_resize(self->runs, capacity * sizeof *runs);
        if (runs) {
            self->runs = runs;
            self->runs_capacity = capacity;
        } else {
            status = error_out_of_memory(err);
        }
    }
    if (status == TRIB_OK) {
        self->runs[self->nruns++] = *run;
        *run = (SortRun){0};
    }
    pthread_mutex_unlock(&self->lock);
    if (status != TRIB_OK) sort_run_clear(self, run);
    return status;
}

Status sort_worker_run(SortShared *shared, SortWorker *self, bool memory, Error *err) {
    SortRun run = {0};
    row_store_sync(&self->store);
    self->store.pressure = false;
    if (self->store.lists[0].rows == 0) return TRIB_OK;
    TRY(sort_worker_entries(shared, self, !memory, &run.entries, &run.rows, &run.exact, err));
    if (!run.entries.data) return sort_worker_run(shared, self, false, err);
    Status status = TRIB_OK;
    if (memory) {
        status = row_store_take(&self->store, 0, &run.pages, err);
    } else {
        status = run_write(shared, self, run.entries.data, run.rows, &run, err);
        block_free(&shared->grant, &run.entries);
        page_list_clear(&self->store.lists[0], &shared->space);
    }
    row_store_restart(&self->store, 0);
    if (status != TRIB_OK) {
        sort_run_clear(shared, &run);
        return status;
    }
    return sort_run_add(shared, &run, err);
}
