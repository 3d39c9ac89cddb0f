/*
 * op_shared.c - a plan that is computed once; op_shared_read - one of those who read it.
 *
 * op_shared. Sink, parallel: rows go to a RowBuffer, which spills.
 * op_shared_read. Source, parallel: workers share the pages of the buffer; each reader has all rows. Its
 * pipeline starts after the buffer is complete, so that nobody waits for anybody who waits for him.
 * Order: none.
 */
#include <stdatomic.h>

#include "engine/exec/row_buffer.h"

typedef struct SharedRows {
    RowBuffer *rows;
} SharedRows;

typedef struct SharedLocal {
    RowBufferWriter *writer;
} SharedLocal;

static Status shared_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    SharedRows *self = shared;
    return row_buffer_new(node, query, &self->rows, err);
}

static void shared_close(void *shared) {
    SharedRows *self = shared;
    row_buffer_free(self->rows);
}

static Status shared_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    SharedRows *shared = context->shared;
    SharedLocal *self = context->local;
    *step = STEP_NEED_INPUT;
    if (!self->writer) TRY(row_buffer_writer_new(shared->rows, &self->writer, err));
    return row_buffer_write(self->writer, in, err);
}

static Status shared_combine(OpContext *context, Error *err) {
    SharedLocal *self = context->local;
    return self->writer ? row_buffer_writer_flush(self->writer, err) : TRIB_OK;
}

const Operator op_shared = {
    .name = "shared",
    .shared_size = sizeof(SharedRows),
    .local_size = sizeof(SharedLocal),
    .open = shared_open,
    .close = shared_close,
    .consume = shared_consume,
    .combine = shared_combine,
};

/* ---------------------------------------------------------------- reading */

typedef struct ReadShared {
    _Atomic uint32_t page; /* the next one that is to be read */
} ReadShared;

typedef struct ReadLocal {
    RowBufferReader *reader;
} ReadLocal;

static Status read_local_open(OpContext *context, Error *err) {
    ReadShared *shared = context->shared;
    ReadLocal *self = context->local;
    const SharedRows *from = context->query->shared[context->node->as.read.from->id];
    return row_buffer_reader_new(from->rows, context->arena, &shared->page, &self->reader, err);
}

static void read_local_close(OpContext *context) {
    ReadLocal *self = context->local;
    row_buffer_reader_end(self->reader);
    self->reader = NULL;
}

static Status read_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    ReadLocal *self = context->local;
    bool some;
    TRY(row_buffer_read(self->reader, out, &some, err));
    *step = some ? STEP_HAVE_OUTPUT : STEP_FINISHED;
    return TRIB_OK;
}

const Operator op_shared_read = {
    .name = "read shared",
    .shared_size = sizeof(ReadShared),
    .local_size = sizeof(ReadLocal),
    .local_open = read_local_open,
    .local_close = read_local_close,
    .produce = read_produce,
};
