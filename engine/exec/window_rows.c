/*
 * window_rows.c - the sorted rows by number, in memory or on disk, and where runs of equal rows end.
 *
 * In memory the sort has left the addresses of all rows in order. On disk it has left one run: pages in
 * order, of which a worker keeps those that somebody holds, and the few in which single rows were looked
 * at last. A page is freed when nobody holds it any more. Only one worker reads a run on disk (pages are
 * not shared), any number reads rows in memory.
 */
#include "engine/exec/window.h"

#include "engine/exec/row_serial.h"

Status window_rows_open(WindowRows *self, SortShared *sort, Arena *arena, Error *err) {
    *self = (WindowRows){.sort = sort, .layout = sort->spec.layout};
    if (sort->merged.data) {
        self->next = sort->merged.data;
        self->stride = 1;
        self->count = sort->merged_rows;
        return TRIB_OK;
    }
    if (sort->nruns == 0) return TRIB_OK;
    SortRun *run = &sort->runs[0];
    self->count = run->rows;
    if (!run->on_disk) {
        self->next = (const uint64_t *)run->entries.data + sort->spec.words;
        self->stride = sort->spec.words + 1;
        return TRIB_OK;
    }
    uint32_t n = run->pages.count;
    TRY_ALLOC(self->first, ARENA_ARRAY(arena, uint64_t, n + 1), err);
    TRY_ALLOC(self->holds, ARENA_ARRAY(arena, uint32_t, n + 1), err);
    for (uint32_t p = 0; p < n; p++) self->first[p + 1] = self->first[p] + run->pages.pages[p].rows;
    self->pages = &run->pages;
    return TRIB_OK;
}

static void page_let_go(WindowRows *self, uint32_t page) {
    if (--self->holds[page] == 0) page_unload(&self->pages->pages[page], &self->sort->run_space);
}

void window_rows_close(WindowRows *self) {
    for (uint32_t i = 0; i < self->nrecent; i++) page_let_go(self, self->recent[i]);
    self->nrecent = 0;
}

/* The page of a row: mostly the one of the row before, or its neighbour. */
static uint32_t page_of(WindowRows *self, uint64_t row) {
    const uint64_t *first = self->first;
    uint32_t p = self->found;
    if (row >= first[p] && row < first[p + 1]) return p;
    if (p + 1 < self->pages->count && row >= first[p + 1] && row < first[p + 2])
        return self->found = p + 1;
    uint32_t low = 0, high = self->pages->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return self->found = low;
}

static Status page_hold(WindowRows *self, uint32_t page, Error *err) {
    const SortShared *sort = self->sort;
    bool loaded;
    TRY(page_load(&self->pages->pages[page], sort->spec.run_layout, &sort->run_space, true, &loaded,
                  err));
    self->holds[page]++;
    return TRIB_OK;
}

static uint8_t *row_address(const WindowRows *self, uint32_t page, uint64_t row) {
    const RowLayout *layout = self->sort->spec.run_layout;
    return page_row(&self->pages->pages[page], layout, (uint32_t)(row - self->first[page])) +
           layout->front;
}

/* The pages of single rows stand in the order of their last use, the latest first. */
static Status page_use(WindowRows *self, uint32_t page, Error *err) {
    uint32_t at = 0;
    while (at < self->nrecent && self->recent[at] != page) at++;
    if (at == self->nrecent) {
        TRY(page_hold(self, page, err));
        if (self->nrecent == WINDOW_RECENT)
            page_let_go(self, self->recent[--at]);
        else
            self->nrecent++;
    }
    memmove(self->recent + 1, self->recent, at * sizeof *self->recent);
    self->recent[0] = page;
    self->turns++;
    return TRIB_OK;
}

Status window_row_load(WindowRows *self, uint64_t row, uint8_t **out, Error *err) {
    uint32_t page = page_of(self, row);
    if (self->nrecent == 0 || self->recent[0] != page) TRY(page_use(self, page, err));
    *out = row_address(self, page, row);
    return TRIB_OK;
}

void window_rows_release(WindowRows *self, WindowHold *hold) {
    for (uint32_t p = hold->from; p < hold->to; p++) page_let_go(self, p);
    *hold = (WindowHold){0};
}

Status window_rows_hold(WindowRows *self, uint64_t from, uint64_t *to, uint64_t bytes,
                        WindowHold *hold, Error *err) {
    WindowHold fresh = {0};
    Status status = TRIB_OK;
    if (!self->pages || from >= *to) return TRIB_OK;
    fresh.from = fresh.to = page_of(self, from);
    uint64_t taken = 0;
    while (self->first[fresh.to] < *to && (fresh.to == fresh.from || taken < bytes)) {
        status = page_hold(self, fresh.to, err);
        if (status != TRIB_OK) break;
        taken += self->pages->pages[fresh.to++].capacity;
    }
    if (self->first[fresh.to] < *to) *to = self->first[fresh.to];
    window_rows_release(self, hold);
    *hold = fresh;
    return status;
}

void window_rows_addresses(WindowRows *self, uint64_t from, uint32_t count, uint8_t **out) {
    if (!self->pages) {
        const uint64_t *next = self->next + from * self->stride;
        for (uint32_t i = 0; i < count; i++, next += self->stride)
            out[i] = (uint8_t *)(uintptr_t)*next;
        return;
    }
    for (uint32_t i = 0; i < count;) {
        uint32_t page = page_of(self, from + i);
        uint64_t end = self->first[page + 1] < from + count ? self->first[page + 1] : from + count;
        uint8_t *row = row_address(self, page, from + i);
        for (; from + i < end; i++, row += self->sort->spec.run_layout->width) out[i] = row;
    }
}

/* ---------------------------------------------------------------- runs of equal rows */

bool window_rows_alike(const WindowShared *shared, const uint8_t *a, const uint8_t *b,
                       uint32_t level) {
    const RowLayout *layout = shared->sort.spec.layout;
    for (uint32_t k = 0; k < level; k++) {
        uint32_t column = shared->keys[k].ordinal;
        bool null_a = row_is_null(layout, a, column), null_b = row_is_null(layout, b, column);
        if (null_a != null_b) return false;
        if (!null_a && row_compare(layout, column, a, b) != 0) return false;
    }
    return true;
}

static Status rows_equal(WindowSource *self, uint64_t a, uint64_t b, uint32_t level, bool *out,
                         Error *err) {
    uint8_t *x, *y;
    TRY(window_row(&self->rows, a, &x, err));
    TRY(window_row(&self->rows, b, &y, err));
    *out = window_rows_alike(self->shared, x, y, level);
    return TRIB_OK;
}

/* Steps that double, then halves: rows equal to `row` are followed by none that is. */
Status window_run_end(WindowSource *self, uint64_t row, uint64_t limit, uint32_t level,
                      uint64_t *out, Error *err) {
    uint64_t low = row, step = 1, high = limit; /* low is equal, high is not */
    bool equal;
    if (level == 0) low = limit - 1;
    while (limit - low > step) {
        TRY(rows_equal(self, row, low + step, level, &equal, err));
        if (!equal) {
            high = low + step;
            break;
        }
        low += step;
        step *= 2;
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        TRY(rows_equal(self, row, middle, level, &equal, err));
        if (equal)
            low = middle;
        else
            high = middle;
    }
    *out = high;
    return TRIB_OK;
}

Status window_run_start(WindowSource *self, uint64_t row, uint64_t limit, uint32_t level,
                        uint64_t *out, Error *err) {
    uint64_t high = row, step = 1,
             low = limit; /* rows from high on are equal, those before low not */
    bool equal;
    if (level == 0) high = limit;
    while (high - limit >= step) {
        TRY(rows_equal(self, row, high - step, level, &equal, err));
        if (!equal) {
            low = high - step + 1;
            break;
        }
        high -= step;
        step *= 2;
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        TRY(rows_equal(self, row, middle, level, &equal, err));
        if (equal)
            high = middle;
        else
            low = middle + 1;
    }
    *out = high;
    return TRIB_OK;
}

Status window_peer_ends(WindowSource *self, const WindowPiece *piece, uint32_t level, uint64_t *out,
                        Error *err) {
    uint64_t last = piece->row + piece->count - 1, end = last + 1;
    if (end < self->part_end) TRY(window_run_end(self, last, self->part_end, level, &end, err));
    for (uint32_t i = piece->count; i-- > 0;) {
        out[i] = end;
        if (window_new_peers(self, piece, i, level)) end = piece->row + i;
    }
    return TRIB_OK;
}
