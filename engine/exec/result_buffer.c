/*
 * result_buffer.c - see result_buffer.h.
 *
 * A writer fills a row store of one partition. When it has more than a page's worth of rows, its pages go
 * to the queue; if the grant refused memory meanwhile they are written to disk first. The reader loads a
 * page (beyond the grant if it must: one page), gathers a batch at a time and frees it; where the queue is
 * empty it fetches what the writers have so far, so that no row waits for others to come.
 *
 * Locks, from the outer to the inner: a writer's - the buffer's.
 */
#include "engine/exec/result_buffer.h"

#include <pthread.h>

#include "engine/exec/query_space.h"

#define PAGE_FIRST     16384
#define PAGE_MAX       (UINT32_C(256) * 1024)
#define HAND_OVER_ROWS 8192 /* rows that a writer keeps to itself at most */

struct ResultWriter {
    ResultWriter *next;
    ResultBuffer *buffer;
    pthread_mutex_t lock; /* guards store */
    RowStore store;
    FlatColumn *flat;
    uint16_t *positions;
    uint8_t **rows;
};

struct ResultBuffer {
    const PhysNode *node;
    Arena *arena;
    Grant grant;
    bool lock_made;
    RowSpace space;
    RowLayout *layout;
    pthread_mutex_t lock; /* guards writers, queue */
    ResultWriter *writers;
    PageList queue;
    /* the reader's own */
    PageList reading;
    uint32_t page, row;
    ColumnRoom *rooms;
    uint8_t **rows;
    Batch batch;
};

static Status reader_open(ResultBuffer *self, Error *err) {
    Arena *arena;
    TRY_ALLOC(arena, arena_new(self->arena), err);
    batch_init(&self->batch, arena);
    TRY_ALLOC(self->rooms, ARENA_ARRAY(self->arena, ColumnRoom, self->node->ncolumns), err);
    TRY_ALLOC(self->rows, ARENA_ARRAY(self->arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(column_room_new(self->arena, &self->layout->columns[i], &self->rooms[i], err));
    }
    return TRIB_OK;
}

Status result_buffer_new(const PhysNode *node, Query *query, ResultBuffer **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    ResultBuffer *self = ARENA_NEW(arena, ResultBuffer);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    *out = self;
    self->arena = arena;
    self->node = node;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    TRY(query_space_open(query, node, RESULT_BUFFER_MINIMUM, PAGE_FIRST, PAGE_MAX,
                         "to buffer the result", &self->grant, &self->space, err));
    TRY(row_layout_new(arena, node->ncolumns, node->types, 0, 0, 8, &self->layout, err));
    return reader_open(self, err);
}

void result_buffer_close(ResultBuffer *self) {
    if (!self) return;
    if (self->batch.arena) batch_clear(&self->batch);
    page_list_clear(&self->reading, &self->space);
    page_list_clear(&self->queue, &self->space);
    for (ResultWriter *writer = self->writers, *next; writer; writer = next) {
        next = writer->next;
        row_store_clear(&writer->store);
        pthread_mutex_destroy(&writer->lock);
        heap_free(writer);
    }
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
    arena_free(self->arena);
}

Status result_writer_new(ResultBuffer *self, Arena *arena, ResultWriter **out, Error *err) {
    ResultWriter *writer; /* on the heap: its spill file outlives the task that wrote it */
    TRY_ALLOC(writer, heap_alloc(sizeof *writer), err);
    writer->buffer = self;
    Status status = row_store_init(&writer->store, self->layout, &self->space, RADIX_TOP, 0, err);
    if (status != TRIB_OK) {
        heap_free(writer);
        return status;
    }
    pthread_mutex_init(&writer->lock, NULL);
    pthread_mutex_lock(&self->lock);
    writer->next = self->writers;
    self->writers = writer;
    pthread_mutex_unlock(&self->lock);
    TRY_ALLOC(writer->flat, ARENA_ARRAY(arena, FlatColumn, self->node->ncolumns), err);
    TRY_ALLOC(writer->positions, ARENA_ARRAY(arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(writer->rows, ARENA_ARRAY(arena, uint8_t *, BATCH_ROWS), err);
    *out = writer;
    return TRIB_OK;
}

/* All pages of the writer go to the queue; the next row begins a new one. Under the writer's lock. */
static Status hand_over(ResultWriter *self, Error *err) {
    ResultBuffer *buffer = self->buffer;
    row_store_sync(&self->store);
    if (self->store.lists[0].rows == 0) return TRIB_OK;
    if (self->store.pressure) TRY(row_store_spill(&self->store, 0, err));
    self->store.pressure = false;
    pthread_mutex_lock(&buffer->lock);
    Status status = page_list_move(&buffer->queue, &self->store.lists[0], err);
    pthread_mutex_unlock(&buffer->lock);
    row_store_restart(&self->store, 0);
    return status;
}

static Status writer_append(ResultWriter *self, const Batch *in, Error *err) {
    TRY(row_store_append(&self->store, self->flat, self->positions, in->selected, NULL, self->rows,
                         err));
    row_store_sync(&self->store);
    if (self->store.pressure || self->store.lists[0].rows >= HAND_OVER_ROWS ||
        self->store.lists[0].count > 1) {
        return hand_over(self, err);
    }
    return TRIB_OK;
}

Status result_writer_add(ResultWriter *self, Batch *in, Error *err) {
    const RowLayout *layout = self->buffer->layout;
    for (uint32_t i = 0; i < layout->ncolumns; i++) {
        TRY(row_flatten(&layout->columns[i], &in->columns[i], in->selection, in->selected,
                        in->count, in->arena, &self->flat[i], err));
    }
    for (uint32_t i = 0; i < in->selected; i++) self->positions[i] = (uint16_t)batch_row(in, i);
    pthread_mutex_lock(&self->lock);
    Status status = writer_append(self, in, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

Status result_writer_finish(ResultWriter *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    Status status = hand_over(self, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

/* The reader has nothing else: what the writers have so far goes to the queue. */
static Status writers_empty(ResultBuffer *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    ResultWriter *writer = self->writers; /* new ones come in front */
    pthread_mutex_unlock(&self->lock);
    for (; writer; writer = writer->next) TRY(result_writer_finish(writer, err));
    return TRIB_OK;
}

static Status queue_fetch(ResultBuffer *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    Status status = page_list_move(&self->reading, &self->queue, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

/* Frees what has been read and fetches what was queued meanwhile; *page NULL: nothing is there. */
static Status reader_page(ResultBuffer *self, RowPage **page, Error *err) {
    *page = NULL;
    if (self->page == self->reading.count) {
        page_list_clear(&self->reading, &self->space);
        self->page = self->row = 0;
        TRY(queue_fetch(self, err));
        if (self->reading.count == 0) {
            TRY(writers_empty(self, err));
            TRY(queue_fetch(self, err));
        }
        if (self->reading.count == 0) return TRIB_OK;
    }
    RowPage *current = &self->reading.pages[self->page];
    if (!current->data) {
        bool loaded;
        TRY(page_load(current, self->layout, &self->space, true, &loaded, err));
    }
    *page = current;
    return TRIB_OK;
}

Status result_buffer_take(ResultBuffer *self, Batch **out, Error *err) {
    RowPage *page;
    *out = NULL;
    batch_clear(&self->batch);
    if (self->page < self->reading.count && self->row == self->reading.pages[self->page].rows) {
        RowPage *read = &self->reading.pages[self->page++];
        if (read->nblocks) page_unload(read, &self->space);
        self->row = 0;
    }
    TRY(reader_page(self, &page, err));
    if (!page) return TRIB_OK;
    uint32_t n = page_rows(page, self->layout, self->row, self->rows);
    self->row += n;
    TRY(batch_columns(&self->batch, self->node->ncolumns, err));
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(row_gather(self->layout, i, self->rows, n, NULL, n, true, &self->rooms[i],
                       self->batch.arena, &self->batch.columns[i], err));
    }
    self->batch.count = self->batch.selected = n;
    *out = &self->batch;
    return TRIB_OK;
}
