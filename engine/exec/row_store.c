/*
 * row_store.c - appending rows to partitions, spilling and loading pages.
 *
 * Appending a batch: the partition of every row; how many bytes it needs outside the row; an
 * address for each (a bump of its partition's cursor, now and then a new page); then one scatter
 * per column. Nothing is undone when memory ends: the page is taken beyond the grant and the owner
 * is told.
 *
 * Where memory abounds, the middle-sized pages of all partitions are cut from slabs of the size of the
 * system's large pages: random access to rows is bound by translating addresses. A slab goes when
 * its last page has gone.
 *
 * Sizes: a partition's first page has page_first bytes (4 KiB where there are many partitions),
 * each further one twice as much up to page_max; a row that is larger gets a page of its own. While
 * the grant refuses, pages stay small.
 */
#include "engine/exec/row_store.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define PAGE_UNIT  4096
#define PAGE_LEAST (UINT32_C(16) * 1024)
#define PAGE_MOST  (UINT32_C(2) << 20)
#define MAP_MIN    (UINT64_C(64) * 1024) /* the smallest block that is worth a mapping of its own */
#define HUGE_MIN   (UINT64_C(2) << 20)
#define PIECE_MAX  (UINT32_C(1) << 20) /* of one spill block */

/* ---------------------------------------------------------------- blocks */

/* The block will be used whole: large pages where it has room for them, else all small ones at
 * once, which costs less than a fault for each. Kernels that do not know the advice do without. */
static void block_advise(const Block *block) {
    if (block->bytes >= HUGE_MIN) {
        (void)madvise(block->data, block->bytes, MADV_HUGEPAGE);
        return;
    }
#ifdef MADV_POPULATE_WRITE
    (void)madvise(block->data, block->bytes, MADV_POPULATE_WRITE);
#endif
}

Status block_new(Grant *grant, uint64_t bytes, bool force, Block *out, Error *err) {
    *out = (Block){.bytes = bytes};
    if (bytes >= MAP_MIN) {
        out->data = grant_map(grant, bytes);
        out->mapped = out->data != NULL;
        if (out->mapped) block_advise(out);
        if (out->mapped || !force) return TRIB_OK;
    } else if (grant_try(grant, (int64_t)bytes)) {
        TRY_ALLOC(out->data, heap_alloc(bytes), err);
        return TRIB_OK;
    }
    if (!force) return TRIB_OK;
    TRY_ALLOC(out->data, heap_alloc(bytes), err);
    grant_force(grant, (int64_t)bytes);
    return TRIB_OK;
}

void block_free(Grant *grant, Block *block) {
    if (!block->data) return;
    if (block->mapped) {
        grant_unmap(grant, block->data, block->bytes);
    } else {
        heap_free(block->data);
        grant_shrink(grant, (int64_t)block->bytes);
    }
    *block = (Block){0};
}

/* ---------------------------------------------------------------- slabs */

struct RowSlab {
    Block block;
    uint64_t used;
    _Atomic uint32_t users; /* pages, and the store that cuts it */
};

static void slab_release(RowSlab *slab, Grant *grant) {
    if (!slab || atomic_fetch_sub(&slab->users, 1) > 1) return;
    block_free(grant, &slab->block);
    heap_free(slab);
}

static bool slab_wanted(const RowStore *self, uint64_t bytes) {
    return self->npartitions > 1 && self->space->page_max == PAGE_MOST && bytes >= MAP_MIN &&
           bytes < PAGE_MOST;
}

/* A piece of about *bytes, at least `need`: what is left of the last slab is used up. NULL when the
 * grant refuses another slab. */
static Status slab_take(RowStore *self, uint64_t need, uint64_t *bytes, RowPage *page, Error *err) {
    RowSlab *slab = self->slab;
    Grant *grant = self->space->grant;
    uint64_t left = slab ? slab->block.bytes - slab->used : 0;
    if (left < *bytes && (left < MAP_MIN || left < need)) {
        slab_release(slab, grant);
        self->slab = NULL;
        TRY_ALLOC(slab, heap_alloc(sizeof *slab), err);
        Status status = block_new(grant, PAGE_MOST, false, &slab->block, err);
        if (status != TRIB_OK || !slab->block.data) {
            heap_free(slab);
            return status;
        }
        atomic_init(&slab->users, 1);
        self->slab = slab;
        left = PAGE_MOST;
    }
    if (*bytes > left) *bytes = left;
    *page = (RowPage){.data = (uint8_t *)slab->block.data + slab->used, .slab = slab};
    slab->used += *bytes;
    atomic_fetch_add(&slab->users, 1);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- pages */

static void page_free_memory(RowPage *page, const RowSpace *space) {
    if (page->slab) {
        if (page->data) slab_release(page->slab, space->grant);
        page->slab = NULL;
        page->data = NULL;
        return;
    }
    Block block = {.data = page->data, .bytes = page->capacity, .mapped = page->mapped};
    block_free(space->grant, &block);
    page->data = NULL;
}

static void page_clear(RowPage *page, const RowSpace *space) {
    page_free_memory(page, space);
    for (uint32_t b = 0; b < page->nblocks; b++) spill_discard(page->file, &page->blocks[b]);
    heap_free(page->blocks);
}

static uint64_t page_front_bytes(const RowPage *page, const RowLayout *layout) {
    return (uint64_t)page->rows * layout->width;
}

uint64_t page_bytes(const RowPage *page, const RowLayout *layout) {
    return page_front_bytes(page, layout) + (page->capacity - page->heap);
}

static Status piece_write(RowPage *page, const uint8_t *data, uint64_t bytes, Error *err) {
    while (bytes > 0) {
        uint32_t piece = bytes < PIECE_MAX ? (uint32_t)bytes : PIECE_MAX;
        TRY(spill_write(page->file, data, piece, &page->blocks[page->nblocks], err));
        page->nblocks++;
        data += piece;
        bytes -= piece;
    }
    return TRIB_OK;
}

static Status page_spill(RowPage *page, const RowLayout *layout, const RowSpace *space,
                         SpillFile *file, Error *err) {
    if (!page->data) return TRIB_OK;
    if (page->nblocks == 0) { /* else it was loaded, and what is on disk still holds */
        uint64_t front = page_front_bytes(page, layout), outside = page->capacity - page->heap;
        uint64_t pieces =
            (front + PIECE_MAX - 1) / PIECE_MAX + (outside + PIECE_MAX - 1) / PIECE_MAX;
        TRY_ALLOC(page->blocks, heap_alloc(pieces * sizeof *page->blocks), err);
        page->file = file;
        TRY(piece_write(page, page->data, front, err));
        TRY(piece_write(page, page->data + page->heap, outside, err));
        if (space->spilled)
            atomic_fetch_add_explicit(space->spilled, front + outside, memory_order_relaxed);
    }
    page_free_memory(page, space);
    return TRIB_OK;
}

Status page_load(RowPage *page, const RowLayout *layout, const RowSpace *space, bool force,
                 bool *loaded, Error *err) {
    *loaded = page->data != NULL;
    if (page->data) return TRIB_OK;
    uint64_t front = page_front_bytes(page, layout), outside = page->capacity - page->heap;
    Block block;
    TRY(block_new(space->grant, front + outside, force, &block, err));
    if (!block.data) return TRIB_OK;
    uint8_t *at = block.data;
    for (uint32_t b = 0; b < page->nblocks; b++) {
        Status status = spill_read(page->file, &page->blocks[b], at, err);
        if (status != TRIB_OK) {
            block_free(space->grant, &block);
            return status;
        }
        at += page->blocks[b].plain;
    }
    page->data = block.data;
    page->mapped = block.mapped;
    page->capacity = front + outside;
    page->heap = front;
    /* What is on disk keeps the addresses of the time it was written: heap_address stays. */
    uint64_t heap_address = (uint64_t)(uintptr_t)(page->data + page->heap);
    row_rebase(layout, page->data, page->rows, (ptrdiff_t)(heap_address - page->heap_address));
    *loaded = true;
    return TRIB_OK;
}

void page_unload(RowPage *page, const RowSpace *space) {
    if (page->nblocks > 0) page_free_memory(page, space);
}

uint32_t page_rows(const RowPage *page, const RowLayout *layout, uint32_t from, uint8_t **rows) {
    uint32_t count = page->rows - from < BATCH_ROWS ? page->rows - from : BATCH_ROWS;
    uint8_t *row = page_row(page, layout, from);
    for (uint32_t i = 0; i < count; i++, row += layout->width) rows[i] = row;
    return count;
}

/* ---------------------------------------------------------------- lists */

static Status page_list_grow(PageList *self, uint32_t more, Error *err) {
    if (self->count + more <= self->capacity) return TRIB_OK;
    uint32_t capacity = self->capacity ? self->capacity * 2 : 4;
    if (capacity < self->count + more) capacity = self->count + more;
    RowPage *pages;
    TRY_ALLOC(pages, heap_resize(self->pages, capacity * sizeof *pages), err);
    self->pages = pages;
    self->capacity = capacity;
    return TRIB_OK;
}

Status page_list_move(PageList *self, PageList *from, Error *err) {
    if (from->count == 0) return TRIB_OK;
    TRY(page_list_grow(self, from->count, err));
    memcpy(self->pages + self->count, from->pages, from->count * sizeof *from->pages);
    self->count += from->count;
    self->rows += from->rows;
    self->memory_bytes += from->memory_bytes;
    self->disk_bytes += from->disk_bytes;
    heap_free(from->pages);
    *from = (PageList){0};
    return TRIB_OK;
}

void page_list_clear(PageList *self, const RowSpace *space) {
    for (uint32_t p = 0; p < self->count; p++) page_clear(&self->pages[p], space);
    heap_free(self->pages);
    *self = (PageList){0};
}

Status page_list_spill(PageList *self, const RowLayout *layout, const RowSpace *space,
                       SpillFile *file, Error *err) {
    for (uint32_t p = 0; p < self->count; p++) {
        RowPage *page = &self->pages[p];
        if (!page->data) continue;
        uint64_t capacity = page->capacity;
        TRY(page_spill(page, layout, space, file, err));
        self->memory_bytes -= capacity;
        self->disk_bytes += page_bytes(page, layout);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- stores */

static Status store_parts(RowStore *self, Error *err) {
    const RowLayout *layout = self->layout;
    uint32_t n = self->npartitions;
    size_t columns = layout->ncolumns ? layout->ncolumns : 1;
    TRY_ALLOC(self->lists, heap_alloc(n * sizeof *self->lists), err);
    TRY_ALLOC(self->cursors, heap_alloc(n * sizeof *self->cursors), err);
    TRY_ALLOC(self->next_bytes, heap_alloc(n * sizeof *self->next_bytes), err);
    TRY_ALLOC(self->may_null, heap_alloc(columns * sizeof *self->may_null), err);
    TRY_ALLOC(self->partition, heap_alloc(BATCH_ROWS * sizeof *self->partition), err);
    for (uint32_t p = 0; p < n; p++) self->next_bytes[p] = self->space->page_first;
    if (!layout->has_heap) return TRIB_OK;
    TRY_ALLOC(self->heap, heap_alloc(BATCH_ROWS * sizeof *self->heap), err);
    TRY_ALLOC(self->heap_bytes, heap_alloc(BATCH_ROWS * sizeof *self->heap_bytes), err);
    return TRIB_OK;
}

Status row_store_init(RowStore *self, const RowLayout *layout, const RowSpace *space, uint32_t top,
                      uint32_t bits, Error *err) {
    *self = (RowStore){
        .layout = layout, .space = space, .shift = top - bits, .npartitions = 1u << bits};
    Status status = store_parts(self, err);
    if (status != TRIB_OK) row_store_clear(self);
    return status;
}

void row_store_clear(RowStore *self) {
    if (!self->space) return;
    for (uint32_t p = 0; self->lists && p < self->npartitions; p++)
        page_list_clear(&self->lists[p], self->space);
    heap_free(self->lists);
    heap_free(self->cursors);
    heap_free(self->next_bytes);
    heap_free(self->may_null);
    heap_free(self->partition);
    heap_free(self->heap);
    heap_free(self->heap_bytes);
    slab_release(self->slab, self->space->grant);
    spill_file_free(self->file);
    *self = (RowStore){0};
}

SpillFile *row_store_take_file(RowStore *self) {
    SpillFile *file = self->file;
    self->file = NULL;
    return file;
}

static void partition_sync(RowStore *self, uint32_t p) {
    PageList *list = &self->lists[p];
    RowCursor *cursor = &self->cursors[p];
    if (!cursor->front) return;
    RowPage *page = &list->pages[list->count - 1];
    uint32_t rows = (uint32_t)((uint64_t)(cursor->front - page->data) / self->layout->width);
    list->rows = list->rows + rows - page->rows;
    page->rows = rows;
    page->heap = (uint64_t)(cursor->heap - page->data);
    page->heap_address = (uint64_t)(uintptr_t)cursor->heap;
}

void row_store_sync(RowStore *self) {
    for (uint32_t p = 0; p < self->npartitions; p++) partition_sync(self, p);
}

uint64_t row_store_memory(const RowStore *self) {
    uint64_t bytes = 0;
    for (uint32_t p = 0; self->lists && p < self->npartitions; p++)
        bytes += self->lists[p].memory_bytes;
    return bytes;
}

uint32_t row_page_max(const Budget *budget, uint32_t workers, uint32_t partitions) {
    uint64_t share = (uint64_t)budget_limit(budget) / 16 / workers / partitions;
    uint32_t bytes = PAGE_LEAST;
    while (bytes < PAGE_MOST && (uint64_t)bytes * 2 <= share) bytes *= 2;
    return bytes;
}

static uint64_t page_round(uint64_t bytes) {
    return (bytes + PAGE_UNIT - 1) / PAGE_UNIT * PAGE_UNIT;
}

static Status page_memory(Grant *grant, uint64_t bytes, bool force, RowPage *page, Error *err) {
    Block block;
    TRY(block_new(grant, bytes, force, &block, err));
    page->data = block.data;
    page->mapped = block.mapped;
    return TRIB_OK;
}

/* A new last page for a partition, with room for `need` bytes. */
static Status page_add(RowStore *self, uint32_t p, uint64_t need, Error *err) {
    PageList *list = &self->lists[p];
    partition_sync(self, p);
    TRY(page_list_grow(list, 1, err));
    uint64_t bytes = self->next_bytes[p];
    if (bytes < need) bytes = page_round(need);
    RowPage page = {0};
    if (!self->pressure && slab_wanted(self, bytes))
        TRY(slab_take(self, need, &bytes, &page, err));
    else if (!self->pressure)
        TRY(page_memory(self->space->grant, bytes, false, &page, err));
    if (!page.data) {
        self->pressure = true;
        bytes = need > self->space->page_first ? page_round(need) : self->space->page_first;
        TRY(page_memory(self->space->grant, bytes, true, &page, err));
    } else if (self->next_bytes[p] < self->space->page_max && bytes >= self->next_bytes[p]) {
        self->next_bytes[p] *= 2;
    }
    page.capacity = page.heap = bytes;
    list->pages[list->count++] = page;
    list->memory_bytes += bytes;
    self->cursors[p] = (RowCursor){.front = page.data, .heap = page.data + bytes};
    return TRIB_OK;
}

static inline Status room_take(RowStore *self, uint32_t partition, uint64_t heap_bytes,
                               uint8_t **row, uint8_t **heap, Error *err) {
    RowCursor *cursor = &self->cursors[partition];
    uint64_t need = self->layout->width + heap_bytes;
    if ((uint64_t)(cursor->heap - cursor->front) < need) TRY(page_add(self, partition, need, err));
    *row = cursor->front;
    cursor->front += self->layout->width;
    cursor->heap -= heap_bytes;
    *heap = cursor->heap;
    return TRIB_OK;
}

Status row_store_room(RowStore *self, uint32_t partition, uint64_t heap_bytes, uint8_t **row,
                      uint8_t **heap, Error *err) {
    return room_take(self, partition, heap_bytes, row, heap, err);
}

static void partitions_of(RowStore *self, const uint64_t *hashes, uint32_t count) {
    uint32_t shift = self->shift, mask = self->npartitions - 1;
    for (uint32_t i = 0; i < count; i++)
        self->partition[i] = (uint16_t)((hashes[i] >> shift) & mask);
}

/* Addresses for rows without outside bytes. */
static Status rooms_fixed(RowStore *self, uint32_t count, uint8_t **rows, Error *err) {
    uint32_t width = self->layout->width;
    RowCursor *cursors = self->cursors;
    for (uint32_t i = 0; i < count; i++) {
        RowCursor *cursor = &cursors[self->partition[i]];
        if ((uint64_t)(cursor->heap - cursor->front) < width)
            TRY(page_add(self, self->partition[i], width, err));
        rows[i] = cursor->front;
        __builtin_prefetch(rows[i], 1); /* it will be written when all have theirs */
        cursor->front += width;
    }
    return TRIB_OK;
}

static Status rooms_heap(RowStore *self, uint32_t count, uint8_t **rows, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        TRY(room_take(self, self->partition[i], self->heap_bytes[i], &rows[i], &self->heap[i],
                      err));
        __builtin_prefetch(rows[i], 1);
        __builtin_prefetch(self->heap[i], 1);
    }
    return TRIB_OK;
}

Status row_store_append(RowStore *self, const FlatColumn *columns, const uint16_t *positions,
                        uint32_t count, const uint64_t *hashes, uint8_t **rows, Error *err) {
    const RowLayout *layout = self->layout;
    if (self->npartitions > 1) partitions_of(self, hashes, count);
    if (layout->has_heap) {
        memset(self->heap_bytes, 0, count * sizeof *self->heap_bytes);
        row_heap_bytes(layout, columns, positions, count, self->heap_bytes);
        TRY(rooms_heap(self, count, rows, err));
    } else {
        TRY(rooms_fixed(self, count, rows, err));
    }
    if (layout->front == ROW_HASH_BYTES)
        for (uint32_t i = 0; i < count; i++) memcpy(rows[i], &hashes[i], sizeof hashes[i]);
    for (uint32_t c = 0; c < layout->ncolumns; c++)
        self->may_null[c] |= columns[c].validity != NULL;
    row_scatter(layout, columns, positions, count, rows, self->heap);
    return TRIB_OK;
}

Status row_store_copy(RowStore *self, uint8_t *const *from, uint32_t count, const uint64_t *hashes,
                      uint8_t **rows, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t partition = self->npartitions > 1 ? row_store_partition(self, hashes[i]) : 0;
        uint8_t *heap;
        TRY(row_store_room(self, partition, row_copy_bytes(self->layout, from[i]), &rows[i], &heap,
                           err));
        row_copy(self->layout, from[i], rows[i], &heap);
    }
    memset(self->may_null, true, self->layout->ncolumns * sizeof *self->may_null);
    return TRIB_OK;
}

void row_store_restart(RowStore *self, uint32_t partition) {
    self->cursors[partition] = (RowCursor){0};
    self->next_bytes[partition] = self->space->page_first;
}

Status row_store_take(RowStore *self, uint32_t partition, PageList *into, Error *err) {
    if (!self->lists) return TRIB_OK;
    partition_sync(self, partition);
    TRY(page_list_move(into, &self->lists[partition], err));
    row_store_restart(self, partition);
    return TRIB_OK;
}

Status row_store_spill(RowStore *self, uint32_t partition, Error *err) {
    PageList *list = &self->lists[partition];
    partition_sync(self, partition);
    if (list->memory_bytes == 0) return TRIB_OK;
    if (!self->file) TRY(spill_file_new(self->space->spill, &self->file, err));
    row_store_restart(self, partition);
    return page_list_spill(list, self->layout, self->space, self->file, err);
}
