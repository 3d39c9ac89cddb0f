/*
 * sort_merge.c - merging runs: a tournament tree of losers over one cursor per run.
 *
 * finish: the number of runs is brought down to what can be merged at once by writing longer ones
 * (the shortest first); if everything is in memory, the order of all rows is computed by several
 * tasks, each for a range of keys: the entries of the largest run give the bounds, and binary
 * search finds them in the others. produce: rows in order, a batch at a time, by one worker.
 *
 * A page of a run on disk stays in memory until the batch made of it has been consumed.
 */
#include "engine/exec/sort.h"

#define HELD_MOST (UINT64_C(1) << 20) /* bytes of pages passed; a batch ends earlier */

struct SortSource {
    SortShared *shared;
    Arena *arena;
    ColumnRoom *rooms;
    uint8_t **rows;
    SortMerge merge;
    bool merging;
    uint64_t at, end;     /* in the merged addresses, or the entries of the only run */
    const uint64_t *next; /* the addresses, `stride` words apart */
    uint32_t stride;
    uint64_t skip, left; /* OFFSET and LIMIT */
};

/* ---------------------------------------------------------------- cursors */

static Status cursor_load(SortMerge *self, SortCursor *cursor, Error *err) {
    const SortSpec *spec = &self->shared->spec;
    SortRun *run = cursor->run;
    cursor->key = NULL;
    if (!run->on_disk) {
        if (cursor->at == cursor->end) return TRIB_OK;
        cursor->key = (const uint64_t *)run->entries.data + cursor->at * (spec->words + 1);
        cursor->data = sort_entry_row(spec, cursor->key);
        return TRIB_OK;
    }
    if (cursor->page == run->pages.count) return TRIB_OK;
    RowPage *page = &run->pages.pages[cursor->page];
    bool loaded;
    TRY(page_load(page, spec->run_layout, &self->shared->run_space, true, &loaded, err));
    uint8_t *row = page_row(page, spec->run_layout, cursor->row);
    cursor->key = (const uint64_t *)row;
    cursor->data = row + spec->run_layout->front;
    return TRIB_OK;
}

static Status page_passed(SortMerge *self, SortCursor *cursor, Error *err) {
    RowPage *page = &cursor->run->pages.pages[cursor->page];
    if (!self->hold) {
        page_unload(page, &self->shared->run_space);
        return TRIB_OK;
    }
    if (self->nheld == self->held_capacity) {
        uint32_t capacity = self->held_capacity ? self->held_capacity * 2 : 16;
        uint32_t *held;
        TRY_ALLOC(held, heap_resize(self->held, capacity * 2 * sizeof *held), err);
        self->held = held;
        self->held_capacity = capacity;
    }
    self->held[2 * self->nheld] = (uint32_t)(cursor - self->cursors);
    self->held[2 * self->nheld++ + 1] = cursor->page;
    self->held_bytes += page->capacity;
    return TRIB_OK;
}

static Status cursor_advance(SortMerge *self, SortCursor *cursor, Error *err) {
    if (!cursor->run->on_disk) {
        cursor->at++;
    } else if (++cursor->row == cursor->run->pages.pages[cursor->page].rows) {
        TRY(page_passed(self, cursor, err));
        cursor->page++;
        cursor->row = 0;
    }
    return cursor_load(self, cursor, err);
}

void sort_merge_release(SortMerge *self) {
    for (uint32_t h = 0; h < self->nheld; h++)
        page_unload(&self->cursors[self->held[2 * h]].run->pages.pages[self->held[2 * h + 1]],
                    &self->shared->run_space);
    self->nheld = 0;
    self->held_bytes = 0;
}

/* ---------------------------------------------------------------- the tree */

/* Does cursor a come before b? Exhausted ones come last; equal rows in the order of their runs. */
static bool cursor_before(const SortMerge *self, uint32_t a, uint32_t b) {
    const SortCursor *x = &self->cursors[a], *y = &self->cursors[b];
    if (!x->key || !y->key) return x->key ? true : y->key ? false : a < b;
    int order = sort_compare(&self->shared->spec, self->exact, x->key, x->data, y->key, y->data);
    return order != 0 ? order < 0 : a < b;
}

/* Plays the whole tournament below `node`; leaves are nodes count .. 2 * count - 1. */
static uint32_t tree_play(SortMerge *self, uint32_t node) {
    if (node >= self->count) return node - self->count;
    uint32_t a = tree_play(self, 2 * node), b = tree_play(self, 2 * node + 1);
    bool first = cursor_before(self, a, b);
    self->losers[node] = first ? b : a;
    return first ? a : b;
}

static void tree_replay(SortMerge *self) {
    uint32_t winner = self->losers[0];
    for (uint32_t node = (winner + self->count) / 2; node > 0; node /= 2) {
        if (!cursor_before(self, self->losers[node], winner)) continue;
        uint32_t loser = winner;
        winner = self->losers[node];
        self->losers[node] = loser;
    }
    self->losers[0] = winner;
}

Status sort_merge_begin(SortShared *shared, SortRun *runs, uint32_t count, const uint64_t *from,
                        const uint64_t *to, SortMerge *out, Error *err) {
    *out = (SortMerge){.shared = shared, .count = count, .exact = true};
    TRY_ALLOC(out->cursors, heap_alloc((count ? count : 1) * sizeof *out->cursors), err);
    TRY_ALLOC(out->losers, heap_alloc((count ? count : 1) * sizeof *out->losers), err);
    for (uint32_t r = 0; r < count; r++) {
        out->cursors[r] = (SortCursor){
            .run = &runs[r], .at = from ? from[r] : 0, .end = to ? to[r] : runs[r].rows};
        out->exact &= runs[r].exact;
        TRY(cursor_load(out, &out->cursors[r], err));
    }
    if (count > 0) out->losers[0] = count > 1 ? tree_play(out, 1) : 0;
    return TRIB_OK;
}

Status sort_merge_advance(SortMerge *self, Error *err) {
    TRY(cursor_advance(self, &self->cursors[self->losers[0]], err));
    tree_replay(self);
    return TRIB_OK;
}

void sort_merge_end(SortMerge *self) {
    if (!self->shared) return;
    if (self->cursors) sort_merge_release(self);
    heap_free(self->cursors);
    heap_free(self->losers);
    heap_free(self->held);
    *self = (SortMerge){0};
}

/* ---------------------------------------------------------------- finish: fewer runs */

static uint64_t rows_wanted(const SortShared *self) {
    if (self->limit < 0) return UINT64_MAX;
    return (uint64_t)self->limit + (uint64_t)self->offset;
}

/* Merges the first `count` runs into one on disk, which takes their place. */
static Status runs_merge(SortShared *self, uint32_t count, Error *err) {
    SortMerge merge = {0};
    SortRun run = {.exact = true};
    uint64_t left = rows_wanted(self);
    Status status = sort_merge_begin(self, self->runs, count, NULL, NULL, &merge, err);
    for (const SortCursor *top;
         status == TRIB_OK && left > 0 && (top = sort_merge_top(&merge)) != NULL; left--) {
        status = sort_writer_add(self, &self->writer, top->key, top->data, err);
        if (status == TRIB_OK) status = sort_merge_advance(&merge, err);
    }
    run.exact = merge.exact;
    sort_merge_end(&merge);
    if (status == TRIB_OK) status = sort_writer_end(&self->writer, &run, err);
    if (status != TRIB_OK) {
        sort_run_clear(self, &run);
        return status;
    }
    for (uint32_t r = 0; r < count; r++) sort_run_clear(self, &self->runs[r]);
    memmove(self->runs, self->runs + count, (self->nruns - count) * sizeof *self->runs);
    self->nruns -= count;
    return sort_run_add(self, &run, err);
}

static void runs_order(SortShared *self) {
    for (uint32_t i = 1; i < self->nruns; i++) {
        SortRun run = self->runs[i];
        uint32_t j = i;
        for (; j > 0 && run.rows < self->runs[j - 1].rows; j--) self->runs[j] = self->runs[j - 1];
        self->runs[j] = run;
    }
}

/* The first merge takes just so many runs that all later ones can be full. */
static Status runs_reduce(SortShared *self, Error *err) {
    while (self->nruns > self->fan_in) {
        runs_order(self);
        uint32_t excess = self->nruns - self->fan_in;
        uint32_t count = excess % (self->fan_in - 1) + 1;
        if (count < 2) count = self->fan_in;
        TRY(runs_merge(self, count, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- finish: in memory, by several
 * tasks */

static uint64_t *entry_at(const SortShared *self, const SortRun *run, uint64_t i) {
    return (uint64_t *)run->entries.data + i * (self->spec.words + 1);
}

/* The first entry of the run that is not before the bound. */
static uint64_t lower_bound(const SortShared *self, const SortRun *run, bool exact,
                            const uint64_t *bound) {
    uint64_t low = 0, high = run->rows;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        const uint64_t *entry = entry_at(self, run, middle);
        if (sort_compare(&self->spec, exact, entry, sort_entry_row(&self->spec, entry), bound,
                         sort_entry_row(&self->spec, bound)) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static Status parts_make(SortShared *self, uint32_t nparts, Error *err) {
    uint64_t rows = 0;
    uint32_t largest = 0;
    bool exact = true;
    for (uint32_t r = 0; r < self->nruns; r++) {
        if (self->runs[r].on_disk) return TRIB_OK;
        rows += self->runs[r].rows;
        exact &= self->runs[r].exact;
        if (self->runs[r].rows > self->runs[largest].rows) largest = r;
    }
    if (self->nruns < 2) return TRIB_OK;
    TRY(block_new(&self->grant, rows * sizeof(uint64_t), false, &self->merged, err));
    if (!self->merged.data) return TRIB_OK; /* merged row by row while they are put out */
    self->merged_rows = rows;
    TRY_ALLOC(self->part_from, heap_alloc((size_t)(nparts + 1) * self->nruns * sizeof(uint64_t)),
              err);
    for (uint32_t p = 0; p <= nparts; p++) {
        uint64_t *from = self->part_from + (size_t)p * self->nruns;
        for (uint32_t r = 0; r < self->nruns; r++) {
            if (p == 0)
                from[r] = 0;
            else if (p == nparts)
                from[r] = self->runs[r].rows;
            else
                from[r] = lower_bound(
                    self, &self->runs[r], exact,
                    entry_at(self, &self->runs[largest], self->runs[largest].rows / nparts * p));
        }
    }
    self->nparts = nparts;
    return TRIB_OK;
}

static Status part_merge(SortShared *self, uint32_t part, Error *err) {
    const uint64_t *from = self->part_from + (size_t)part * self->nruns, *to = from + self->nruns;
    uint64_t *out = self->merged.data;
    for (uint32_t r = 0; r < self->nruns; r++) out += from[r];
    SortMerge merge = {0};
    Status status = sort_merge_begin(self, self->runs, self->nruns, from, to, &merge, err);
    uint32_t unchecked = 0;
    for (const SortCursor *top; status == TRIB_OK && (top = sort_merge_top(&merge)) != NULL;) {
        *out++ = (uint64_t)(uintptr_t)top->data;
        status = sort_merge_advance(&merge, err);
        if (++unchecked == BATCH_ROWS && status == TRIB_OK) {
            unchecked = 0;
            status = cancel_check(self->query->cancel, err);
        }
    }
    sort_merge_end(&merge);
    return status;
}

Status sort_finish(OpContext *context, Step *step, Error *err) {
    SortShared *self = context->shared;
    uint32_t phase = 0;
    *step = STEP_NEED_INPUT;
    if (atomic_compare_exchange_strong(&self->phase, &phase, 1)) {
        TRY(row_store_init(&self->writer, self->spec.run_layout, &self->run_space, RADIX_TOP, 0,
                           err));
        TRY(runs_reduce(self, err));
        TRY(parts_make(self, self->query->workers, err));
        if (self->one && self->nruns > 1 && !self->merged.data)
            TRY(runs_merge(self, self->nruns, err));
        atomic_store(&self->phase, 2);
    } else if (phase == 1) {
        return TRIB_OK; /* asked again: another task is preparing */
    }
    uint32_t part = atomic_fetch_add(&self->next, 1);
    if (part < self->nparts) return part_merge(self, part, err);
    *step = STEP_FINISHED;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- putting out */

void sort_source_free(SortSource *self) {
    if (!self) return;
    sort_merge_end(&self->merge);
    arena_free(self->arena);
    heap_free(self);
}

static Status source_new(SortShared *shared, SortSource **out, Error *err) {
    SortSource *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    *out = self;
    self->shared = shared;
    const RowLayout *layout = shared->spec.layout;
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    TRY_ALLOC(self->rooms, ARENA_ARRAY(self->arena, ColumnRoom, layout->ncolumns + 1), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(self->arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t c = 0; c < layout->ncolumns; c++)
        TRY(column_room_new(self->arena, &layout->columns[c], &self->rooms[c], err));
    self->skip = (uint64_t)(shared->offset > 0 ? shared->offset : 0);
    self->left = shared->limit < 0 ? UINT64_MAX : (uint64_t)shared->limit;
    if (shared->merged.data) {
        self->next = shared->merged.data;
        self->stride = 1;
        self->end = shared->merged_rows;
    } else if (shared->nruns == 1 && !shared->runs[0].on_disk) {
        self->next = (const uint64_t *)shared->runs[0].entries.data + shared->spec.words;
        self->stride = shared->spec.words + 1;
        self->end = shared->runs[0].rows;
    } else {
        self->merging = true;
        return sort_merge_begin(shared, shared->runs, shared->nruns, NULL, NULL, &self->merge, err);
    }
    self->at = self->skip < self->end ? self->skip : self->end;
    return TRIB_OK;
}

static Status rows_next(SortSource *self, uint32_t most, uint32_t *count, Error *err) {
    *count = 0;
    if (most > self->left) most = (uint32_t)self->left;
    if (!self->merging) {
        for (; *count < most && self->at < self->end; self->at++)
            self->rows[(*count)++] = (uint8_t *)(uintptr_t)self->next[self->at * self->stride];
        return TRIB_OK;
    }
    SortMerge *merge = &self->merge;
    sort_merge_release(merge);
    merge->hold = false;
    for (; self->skip > 0 && most > 0 && sort_merge_top(merge); self->skip--)
        TRY(sort_merge_advance(merge, err));
    merge->hold = true;
    while (*count < most && merge->held_bytes < HELD_MOST) {
        const SortCursor *top = sort_merge_top(merge);
        if (!top) break;
        self->rows[(*count)++] = top->data;
        TRY(sort_merge_advance(merge, err));
    }
    return TRIB_OK;
}

Status sort_produce(OpContext *context, SortSource **source, Batch *out, Step *step, Error *err) {
    SortShared *shared = context->shared;
    TRY(cancel_check(context->query->cancel, err));
    if (!*source) {
        SortSource *fresh = NULL;
        Status status = source_new(shared, &fresh, err);
        *source = fresh;
        TRY(status);
    }
    SortSource *self = *source;
    uint32_t most = context->query->batch_rows, count;
    if (most == 0 || most > BATCH_ROWS) most = BATCH_ROWS;
    TRY(rows_next(self, most, &count, err));
    *step = STEP_FINISHED;
    if (count == 0) return TRIB_OK;
    if (self->left != UINT64_MAX) self->left -= count;
    const RowLayout *layout = shared->spec.layout;
    TRY(batch_columns(out, layout->ncolumns, err));
    for (uint32_t c = 0; c < layout->ncolumns; c++)
        TRY(row_gather(layout, c, self->rows, count, NULL, count, shared->may_null[c],
                       &self->rooms[c], out->arena, &out->columns[c], err));
    out->count = out->selected = count;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}
