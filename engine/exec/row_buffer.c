/*
 * row_buffer.c - see row_buffer.h.
 *
 * A writer fills a row store of one partition. Its pages join the buffer's list when there is more than one,
 * or at a flush; once the grant has refused memory, pages are written to disk before they join. Readers look
 * at the list without a lock: it does not change while they read. A page on disk is loaded into a copy of
 * its description, one page per reader at a time (beyond the grant if it must).
 *
 * Threads: the lock guards the list and the writers; each writer and reader belongs to one task.
 */
#include "engine/exec/row_buffer.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/query_space.h"

#define PAGE_FIRST 4096
#define PAGE_MAX   (UINT32_C(256) * 1024)

struct RowBufferWriter {
    RowBufferWriter *next;
    RowBuffer *buffer;
    RowStore store;
    Arena *arena;
    FlatColumn *flat;
    uint16_t *positions;
    uint8_t **rows;
};

struct RowBuffer {
    const PhysNode *node;
    Arena *arena;
    Grant grant;
    bool lock_made;
    RowSpace space;
    RowLayout *layout;
    pthread_mutex_t lock;
    RowBufferWriter *writers;
    PageList pages;
};

struct RowBufferReader {
    const RowBuffer *buffer;
    _Atomic uint32_t *next;
    _Atomic uint32_t own;
    RowPage page; /* a copy; data NULL = none */
    bool loaded;  /* from disk: to be unloaded */
    uint32_t row;
    ColumnRoom *rooms;
    uint8_t **rows;
};

static Status buffer_open(RowBuffer *self, Query *query, Error *err) {
    const PhysNode *node = self->node;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    TRY(query_space_open(query, node, ROW_BUFFER_MINIMUM, PAGE_FIRST, PAGE_MAX,
                         "for rows that are read again", &self->grant, &self->space, err));
    return row_layout_new(self->arena, node->ncolumns, node->types, 0, 0, 8, &self->layout, err);
}

Status row_buffer_new(const PhysNode *node, Query *query, RowBuffer **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    RowBuffer *self = ARENA_NEW(arena, RowBuffer);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->node = node;
    Status status = buffer_open(self, query, err);
    if (status != TRIB_OK) {
        row_buffer_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static void writer_free(RowBufferWriter *self) {
    row_store_clear(&self->store);
    arena_free(self->arena);
    heap_free(self);
}

void row_buffer_free(RowBuffer *self) {
    if (!self) return;
    page_list_clear(&self->pages, &self->space);
    for (RowBufferWriter *writer = self->writers, *next; writer; writer = next) {
        next = writer->next;
        writer_free(writer);
    }
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
    arena_free(self->arena);
}

uint64_t row_buffer_rows(const RowBuffer *self) {
    return self->pages.rows;
}

/* ---------------------------------------------------------------- writing */

Status row_buffer_writer_new(RowBuffer *self, RowBufferWriter **out, Error *err) {
    RowBufferWriter *writer; /* on the heap: its spill file outlives the task that wrote it */
    TRY_ALLOC(writer, heap_alloc(sizeof *writer), err);
    writer->buffer = self;
    Status status = row_store_init(&writer->store, self->layout, &self->space, RADIX_TOP, 0, err);
    if (status != TRIB_OK) {
        heap_free(writer);
        return status;
    }
    pthread_mutex_lock(&self->lock);
    writer->next = self->writers;
    self->writers = writer;
    pthread_mutex_unlock(&self->lock);
    TRY_ALLOC(writer->arena, arena_new(NULL), err);
    TRY_ALLOC(writer->flat, ARENA_ARRAY(writer->arena, FlatColumn, self->layout->ncolumns + 1),
              err);
    TRY_ALLOC(writer->positions, ARENA_ARRAY(writer->arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(writer->rows, ARENA_ARRAY(writer->arena, uint8_t *, BATCH_ROWS), err);
    *out = writer;
    return TRIB_OK;
}

Status row_buffer_writer_flush(RowBufferWriter *self, Error *err) {
    RowBuffer *buffer = self->buffer;
    row_store_sync(&self->store);
    if (self->store.lists[0].rows == 0) return TRIB_OK;
    if (self->store.pressure) TRY(row_store_spill(&self->store, 0, err));
    self->store.pressure = false;
    pthread_mutex_lock(&buffer->lock);
    Status status = page_list_move(&buffer->pages, &self->store.lists[0], err);
    pthread_mutex_unlock(&buffer->lock);
    row_store_restart(&self->store, 0);
    return status;
}

Status row_buffer_write(RowBufferWriter *self, const Batch *in, Error *err) {
    const RowLayout *layout = self->buffer->layout;
    if (in->selected == 0) return TRIB_OK;
    for (uint32_t i = 0; i < layout->ncolumns; i++) {
        TRY(row_flatten(&layout->columns[i], &in->columns[i], in->selection, in->selected,
                        in->count, in->arena, &self->flat[i], err));
    }
    for (uint32_t i = 0; i < in->selected; i++) self->positions[i] = (uint16_t)batch_row(in, i);
    TRY(row_store_append(&self->store, self->flat, self->positions, in->selected, NULL, self->rows,
                         err));
    if (!self->store.pressure && self->store.lists[0].count <= 1) return TRIB_OK;
    return row_buffer_writer_flush(self, err);
}

/* ---------------------------------------------------------------- reading */

Status row_buffer_reader_new(const RowBuffer *self, Arena *arena, _Atomic uint32_t *next,
                             RowBufferReader **out, Error *err) {
    RowBufferReader *reader;
    uint32_t n = self->layout->ncolumns;
    TRY_ALLOC(reader, ARENA_NEW(arena, RowBufferReader), err);
    reader->buffer = self;
    reader->next = next ? next : &reader->own;
    TRY_ALLOC(reader->rooms, ARENA_ARRAY(arena, ColumnRoom, n + 1), err);
    TRY_ALLOC(reader->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t i = 0; i < n; i++)
        TRY(column_room_new(arena, &self->layout->columns[i], &reader->rooms[i], err));
    *out = reader;
    return TRIB_OK;
}

void row_buffer_reader_end(RowBufferReader *self) {
    if (!self) return;
    if (self->loaded) page_unload(&self->page, &self->buffer->space);
    self->loaded = false;
    self->page = (RowPage){0};
}

/* The next page that is left; *some false: none. */
static Status reader_page(RowBufferReader *self, bool *some, Error *err) {
    const RowBuffer *buffer = self->buffer;
    row_buffer_reader_end(self);
    uint32_t index = atomic_fetch_add(self->next, 1);
    *some = index < buffer->pages.count;
    if (!*some) {
        atomic_store(self->next, buffer->pages.count); /* must not overflow */
        return TRIB_OK;
    }
    self->page = buffer->pages.pages[index];
    self->row = 0;
    if (self->page.data) return TRIB_OK;
    TRY(page_load(&self->page, buffer->layout, &buffer->space, true, &self->loaded, err));
    return TRIB_OK;
}

Status row_buffer_read(RowBufferReader *self, Batch *out, bool *some, Error *err) {
    const RowLayout *layout = self->buffer->layout;
    *some = true;
    while (!self->page.data || self->row == self->page.rows) {
        TRY(reader_page(self, some, err));
        if (!*some) return TRIB_OK;
    }
    uint32_t n = page_rows(&self->page, layout, self->row, self->rows);
    self->row += n;
    TRY(batch_columns(out, layout->ncolumns, err));
    for (uint32_t i = 0; i < layout->ncolumns; i++) {
        TRY(row_gather(layout, i, self->rows, n, NULL, n, true, &self->rooms[i], out->arena,
                       &out->columns[i], err));
    }
    out->count = out->selected = n;
    return TRIB_OK;
}
