/*
 * op_write.c - stores rows in a table of a source.
 *
 * Role: sink. One TribWriter per query, fed by one worker at a time (a lock). The rows become visible in
 * finish(); an execution that ends before it undoes them in close(). The count of rows is the source's.
 */
#include <pthread.h>

#include "engine/exec/operator.h"

typedef struct WriteShared {
    pthread_mutex_t lock;
    bool ready;
    Source *source;
    TribWriter *writer;
    uint64_t rows;
    bool committed; /* the rows are visible, whatever happens now */
} WriteShared;

static Status write_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    WriteShared *self = shared;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    TRY(catalog_source(node->as.write.catalog, &self->source, err));
    return source_write_open(self->source, &query->call, &node->as.write.request, &self->writer,
                             err);
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
    if (self->ready) pthread_mutex_destroy(&self->lock);
    self->ready = false;
}

/* A text longer than its column is an error, never cut. */
static Status check_lengths(const TribWriteRequest *request, const Batch *in, Error *err) {
    for (uint32_t c = 0; c < in->ncolumns; c++) {
        const TribColumn *column = &request->table->columns[request->columns[c]];
        if (column->type.id != TRIB_TYPE_VARCHAR || column->type.length == 0) continue;
        for (uint32_t i = 0; i < in->selected; i++) {
            uint32_t row = batch_row(in, i);
            if (vector_is_null(&in->columns[c], row)) continue;
            Str text = strview_str(vector_at(&in->columns[c], row));
            if (text.len <= column->type.length ||
                utf8_length(text.data, text.len) <= column->type.length)
                continue;
            int shown = (int)utf8_cut(text.data, text.len, 40);
            return error_set(err, ERR_VALUE_TOO_LONG,
                             "'%.*s%s' has %zu characters; column '%s' of %s.%s takes %u", shown,
                             text.data, text.len > 40 ? "..." : "",
                             utf8_length(text.data, text.len), column->name, request->table->schema,
                             request->table->name, column->type.length);
        }
    }
    return TRIB_OK;
}

static Status write_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    WriteShared *self = context->shared;
    *step = STEP_NEED_INPUT;
    TRY(check_lengths(&context->node->as.write.request, in, err));
    pthread_mutex_lock(&self->lock);
    Status status = source_write_batch(self->source, self->writer, in, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

static Status write_finish(OpContext *context, Step *step, Error *err) {
    WriteShared *self = context->shared;
    TribWriter *writer = self->writer;
    self->writer = NULL; /* released by write_close in any case */
    *step = STEP_FINISHED;
    TRY(source_write_close(self->source, writer, true, &self->rows, err));
    self->committed = true;
    const TribTable *table = context->node->as.write.request.table;
    catalog_invalidate(context->node->as.write.catalog, table->schema, table->name);
    return TRIB_OK;
}

uint64_t write_rows(const void *write_shared) {
    return ((const WriteShared *)write_shared)->rows;
}

bool write_committed(const void *write_shared) {
    return ((const WriteShared *)write_shared)->committed;
}

const Operator op_write = {
    .name = "write",
    .shared_size = sizeof(WriteShared),
    .open = write_open,
    .close = write_close,
    .consume = write_consume,
    .finish = write_finish,
};
