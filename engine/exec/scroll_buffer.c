/*
 * scroll_buffer.c - see scroll_buffer.h.
 *
 * A row store of one partition whose pages stay in their order; `ends` says for each page how many rows
 * there are up to its end, so that the page of a row is found by bisection. When the grant refuses memory
 * all pages are written to disk. A page that was loaded to be read is given back before another is loaded,
 * and before rows are added, which may write pages.
 */
#include "engine/exec/scroll_buffer.h"

#include "engine/exec/query_space.h"

#define MINIMUM    (INT64_C(512) << 10)
#define PAGE_FIRST 16384
#define PAGE_MAX   (UINT32_C(256) * 1024)
#define NO_PAGE    UINT32_MAX

struct ScrollBuffer {
    const PhysNode *node;
    Arena *arena;
    Grant grant;
    RowSpace space;
    RowLayout *layout;
    RowStore store;
    uint64_t *ends; /* rows up to the end of each page, of `nends` */
    uint32_t nends, ends_capacity;
    uint32_t loaded; /* page that was read from disk, or NO_PAGE */
    FlatColumn *flat;
    uint16_t *positions;
    uint8_t **rows;
    ColumnRoom *rooms;
    Batch batch;
};

static Status buffer_open(ScrollBuffer *self, Error *err) {
    uint32_t columns = self->node->ncolumns;
    Arena *arena;
    TRY(row_layout_new(self->arena, columns, self->node->types, 0, 0, 8, &self->layout, err));
    TRY(row_store_init(&self->store, self->layout, &self->space, RADIX_TOP, 0, err));
    TRY_ALLOC(self->flat, ARENA_ARRAY(self->arena, FlatColumn, columns), err);
    TRY_ALLOC(self->positions, ARENA_ARRAY(self->arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(self->arena, uint8_t *, BATCH_ROWS), err);
    TRY_ALLOC(self->rooms, ARENA_ARRAY(self->arena, ColumnRoom, columns), err);
    for (uint32_t i = 0; i < columns; i++)
        TRY(column_room_new(self->arena, &self->layout->columns[i], &self->rooms[i], err));
    TRY_ALLOC(arena, arena_new(self->arena), err);
    batch_init(&self->batch, arena);
    return TRIB_OK;
}

Status scroll_buffer_new(const PhysNode *node, Query *query, ScrollBuffer **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    ScrollBuffer *self = ARENA_NEW(arena, ScrollBuffer);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    *out = self;
    self->arena = arena;
    self->node = node;
    self->loaded = NO_PAGE;
    TRY(query_space_open(query, node, MINIMUM, PAGE_FIRST, PAGE_MAX,
                         "for a scrollable cursor's rows", &self->grant, &self->space, err));
    return buffer_open(self, err);
}

void scroll_buffer_close(ScrollBuffer *self) {
    if (!self) return;
    if (self->batch.arena) batch_clear(&self->batch);
    row_store_clear(&self->store);
    heap_free(self->ends);
    grant_clear(&self->grant);
    arena_free(self->arena);
}

static void page_give_back(ScrollBuffer *self) {
    if (self->loaded == NO_PAGE) return;
    page_unload(&self->store.lists[0].pages[self->loaded], &self->space);
    self->loaded = NO_PAGE;
}

/* Brings `ends` up to date with the store: only the last page that it knows may have grown. */
static Status ends_update(ScrollBuffer *self, Error *err) {
    const PageList *list = &self->store.lists[0];
    row_store_sync(&self->store);
    if (list->count > self->ends_capacity) {
        uint32_t capacity = list->count * 2;
        uint64_t *ends;
        TRY_ALLOC(ends, heap_resize(self->ends, capacity * sizeof *ends), err);
        self->ends = ends;
        self->ends_capacity = capacity;
    }
    uint32_t at = self->nends ? self->nends - 1 : 0;
    for (; at < list->count; at++)
        self->ends[at] = (at ? self->ends[at - 1] : 0) + list->pages[at].rows;
    self->nends = list->count;
    return TRIB_OK;
}

Status scroll_buffer_add(ScrollBuffer *self, Batch *in, uint32_t count, Error *err) {
    page_give_back(self);
    for (uint32_t i = 0; i < self->layout->ncolumns; i++) {
        TRY(row_flatten(&self->layout->columns[i], &in->columns[i], in->selection, in->selected,
                        in->count, in->arena, &self->flat[i], err));
    }
    for (uint32_t i = 0; i < count; i++) self->positions[i] = (uint16_t)batch_row(in, i);
    TRY(row_store_append(&self->store, self->flat, self->positions, count, NULL, self->rows, err));
    TRY(ends_update(self, err));
    if (!self->store.pressure) return TRIB_OK;
    self->store.pressure = false;
    return row_store_spill(&self->store, 0, err);
}

uint64_t scroll_buffer_rows(const ScrollBuffer *self) {
    return self->nends ? self->ends[self->nends - 1] : 0;
}

static uint32_t page_of(const ScrollBuffer *self, uint64_t row) {
    uint32_t low = 0, high = self->nends - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (row < self->ends[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

Status scroll_buffer_read(ScrollBuffer *self, uint64_t row, Batch **out, Error *err) {
    *out = NULL;
    batch_clear(&self->batch);
    if (row >= scroll_buffer_rows(self)) return TRIB_OK;
    uint32_t number = page_of(self, row);
    RowPage *page = &self->store.lists[0].pages[number];
    if (!page->data) {
        bool loaded;
        page_give_back(self);
        TRY(page_load(page, self->layout, &self->space, true, &loaded, err));
        self->loaded = number;
    }
    uint32_t first = (uint32_t)(row - (number ? self->ends[number - 1] : 0));
    uint32_t n = page_rows(page, self->layout, first, self->rows);
    TRY(batch_columns(&self->batch, self->node->ncolumns, err));
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(row_gather(self->layout, i, self->rows, n, NULL, n, true, &self->rooms[i],
                       self->batch.arena, &self->batch.columns[i], err));
    }
    self->batch.count = self->batch.selected = n;
    *out = &self->batch;
    return TRIB_OK;
}
