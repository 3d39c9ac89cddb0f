/*
 * op_write.c - stores rows in a table of a source.
 *
 * Role: sink. One TribWriter per query, fed by one worker at a time (a lock). The writer is opened with the
 * first rows, or at the end. Where rows come from the source that they go to, and its transaction has one
 * connection, they are kept (on disk where memory ends) until all have been read. The rows are the
 * transaction's to commit; without one they become visible in finish(). An execution that ends before undoes
 * them in close(). The count of rows is the source's.
 */
#include <pthread.h>

#include "engine/exec/write.h"

typedef struct WriteShared {
    WriteOutcome outcome;
    pthread_mutex_t lock;
    bool ready;
    const PhysNode *node;
    Query *query;
    Source *source;
    TribWriteRequest request;
    TribWriter *writer;
    RowBuffer *buffer; /* NULL: rows are written as they come */
    RowBufferWriter *buffered;
} WriteShared;

static Status write_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    WriteShared *self = shared;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    self->node = node;
    self->query = query;
    self->request = node->as.write.request;
    TRY(catalog_source(node->as.write.catalog, &self->source, err));
    self->request.transaction = source_tx_handle(source_call_tx(self->source, &query->call));
    if (!node->as.write.buffered) return TRIB_OK;
    TRY(row_buffer_new(node->children[0], query, &self->buffer, err));
    return row_buffer_writer_new(self->buffer, &self->buffered, err);
}

static Status writer_open(WriteShared *self, Error *err) {
    if (self->writer) return TRIB_OK;
    return source_write_open(self->source, &self->query->call, &self->request, &self->writer, err);
}

static bool writes_by_key(TribWriteKind kind) {
    return kind == TRIB_WRITE_UPDATE || kind == TRIB_WRITE_DELETE;
}

static void write_close(void *shared) {
    WriteShared *self = shared;
    if (self->writer) {
        Error ignored; /* undoing: the error that led here is what the user sees */
        uint64_t rows;
        if (source_write_close(self->source, self->writer, false, &rows, &ignored) != TRIB_OK)
            error_clear(&ignored);
        self->writer = NULL;
    }
    row_buffer_free(self->buffer);
    self->buffer = NULL;
    if (self->ready) pthread_mutex_destroy(&self->lock);
    self->ready = false;
}

static Status rows_take(WriteShared *self, const Batch *in, Error *err) {
    if (self->buffer) return row_buffer_write(self->buffered, in, err);
    TRY(writer_open(self, err));
    return source_write_batch(self->source, self->writer, in, err);
}

static Status write_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    WriteShared *self = context->shared;
    *step = STEP_NEED_INPUT;
    TRY(write_check_lengths(&self->request, in, err));
    pthread_mutex_lock(&self->lock);
    Status status = rows_take(self, in, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static Status write_finish(OpContext *context, Step *step, Error *err) {
    WriteShared *self = context->shared;
    *step = STEP_FINISHED;
    /* Without a key to find them again by, rows are none: there is nothing to be opened. */
    if (writes_by_key(self->request.kind) && self->request.table->nrow_key == 0) return TRIB_OK;
    TRY(writer_open(self, err));
    if (self->buffer)
        TRY(write_kept(self->query, self->buffer, self->buffered, context->arena, self->source,
                       self->writer, err));
    TribWriter *writer = self->writer;
    self->writer = NULL; /* released by write_close in any case */
    TRY(source_write_close(self->source, writer, true, &self->outcome.rows, err));
    self->outcome.committed = self->request.transaction == NULL;
    return TRIB_OK;
}

const Operator op_write = {
    .name = "write",
    .shared_size = sizeof(WriteShared),
    .open = write_open,
    .close = write_close,
    .consume = write_consume,
    .finish = write_finish,
};
