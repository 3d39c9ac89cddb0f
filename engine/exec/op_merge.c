/*
 * op_merge.c - stores the rows of a MERGE: what its clauses update, delete and insert.
 *
 * Role: sink. Column 0 of a row is the number of its clause, column 1 its number among those of one row of the
 * target: a second one cannot be carried out (21000). The rows of each clause are kept, on disk where memory ends,
 * with the columns that it stores: the target is being read meanwhile. When all have been read, a writer
 * of the source per clause stores them, those that delete first and those that insert last, so that a key
 * that one row gives up is free for another. All of it belongs to one transaction, which is not ours to end.
 *
 * Threads: a lock around what is shared; finish() is called by one worker.
 */
#include <pthread.h>

#include "engine/exec/write.h"

typedef struct MergeShared {
    WriteOutcome outcome;
    pthread_mutex_t lock;
    bool ready;
    const PhysNode *node;
    Query *query;
    Source *source;
    TribTx *transaction;
    RowBuffer **buffers; /* [nactions] */
    RowBufferWriter **buffered;
    Vector **columns; /* [nactions] of a batch with a clause's columns; under the lock */
} MergeShared;

static Status action_open(MergeShared *self, uint32_t index, Error *err) {
    const PhysNode *shape = self->node->as.merge.shapes[index];
    TRY_ALLOC(self->columns[index], ARENA_ARRAY(self->query->arena, Vector, shape->ncolumns), err);
    TRY(row_buffer_new(shape, self->query, &self->buffers[index], err));
    return row_buffer_writer_new(self->buffers[index], &self->buffered[index], err);
}

static Status merge_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    MergeShared *self = shared;
    uint32_t n = node->as.merge.nactions;
    pthread_mutex_init(&self->lock, NULL);
    self->ready = true;
    self->node = node;
    self->query = query;
    TRY(catalog_source(node->as.merge.catalog, &self->source, err));
    self->transaction = source_tx_handle(source_call_tx(self->source, &query->call));
    TRY_ALLOC(self->buffers, ARENA_ARRAY(query->arena, RowBuffer *, n), err);
    TRY_ALLOC(self->buffered, ARENA_ARRAY(query->arena, RowBufferWriter *, n), err);
    TRY_ALLOC(self->columns, ARENA_ARRAY(query->arena, Vector *, n), err);
    for (uint32_t i = 0; i < n; i++) TRY(action_open(self, i, err));
    return TRIB_OK;
}

static void merge_close(void *shared) {
    MergeShared *self = shared;
    for (uint32_t i = 0; self->buffers && i < self->node->as.merge.nactions; i++)
        row_buffer_free(self->buffers[i]);
    self->buffers = NULL;
    if (self->ready) pthread_mutex_destroy(&self->lock);
    self->ready = false;
}

/* ---------------------------------------------------------------- rows */

static int64_t integer_at(const Batch *in, uint32_t column, uint32_t row) {
    const Vector *v = &in->columns[column];
    return v->type.id == TRIB_TYPE_INTEGER ? *(const int32_t *)vector_at(v, row)
                                           : *(const int64_t *)vector_at(v, row);
}

static Status check_once(const MergeShared *self, const Batch *in, uint32_t action, uint32_t row,
                         Error *err) {
    const TribWriteRequest *request = &self->node->as.merge.requests[action];
    if (request->kind == TRIB_WRITE_INSERT || integer_at(in, 1, row) == 1) return TRIB_OK;
    return error_set(err, ERR_SCALAR_SUBQUERY_ROWS,
                     "one row of %s.%s matches more than one row of the source of MERGE",
                     request->table->schema, request->table->name);
}

/* The rows of one clause with the columns that it stores. Under the lock. */
static Status action_take(MergeShared *self, const Batch *in, uint32_t index,
                          const uint16_t *selection, uint32_t count, Error *err) {
    const MergeAction *action = &self->node->as.merge.actions[index];
    Batch part = *in;
    part.selection = selection;
    part.selected = count;
    part.ncolumns = action->ncolumns;
    part.columns = self->columns[index];
    for (uint32_t c = 0; c < action->ncolumns; c++)
        part.columns[c] = in->columns[action->places[c]];
    TRY(write_check_lengths(&self->node->as.merge.requests[index], &part, err));
    return row_buffer_write(self->buffered[index], &part, err);
}

static Status merge_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    MergeShared *self = context->shared;
    uint16_t rows[BATCH_ROWS];
    Status status = TRIB_OK;
    *step = STEP_NEED_INPUT;
    pthread_mutex_lock(&self->lock);
    for (uint32_t a = 0; a < self->node->as.merge.nactions && status == TRIB_OK; a++) {
        uint32_t count = 0;
        for (uint32_t i = 0; i < in->selected && status == TRIB_OK; i++) {
            uint32_t row = batch_row(in, i);
            if (integer_at(in, 0, row) != (int64_t)a) continue;
            rows[count++] = (uint16_t)row;
            status = check_once(self, in, a, row, err);
        }
        if (count > 0 && status == TRIB_OK) status = action_take(self, in, a, rows, count, err);
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

/* ---------------------------------------------------------------- storing */

static void writer_undo(MergeShared *self, TribWriter *writer) {
    Error ignored; /* the error that led here is what the user sees */
    uint64_t rows;
    if (source_write_close(self->source, writer, false, &rows, &ignored) != TRIB_OK)
        error_clear(&ignored);
}

static Status action_write(MergeShared *self, uint32_t index, Arena *arena, Error *err) {
    TribWriteRequest request = self->node->as.merge.requests[index];
    TribWriter *writer;
    uint64_t rows = 0;
    TRY(row_buffer_writer_flush(self->buffered[index], err));
    if (row_buffer_rows(self->buffers[index]) == 0) return TRIB_OK;
    request.transaction = self->transaction;
    TRY(source_write_open(self->source, &self->query->call, &request, &writer, err));
    Status status = write_kept(self->query, self->buffers[index], self->buffered[index], arena,
                               self->source, writer, err);
    if (status != TRIB_OK) {
        writer_undo(self, writer);
        return status;
    }
    TRY(source_write_close(self->source, writer, true, &rows, err));
    self->outcome.rows += rows;
    return TRIB_OK;
}

static Status merge_finish(OpContext *context, Step *step, Error *err) {
    static const TribWriteKind order[] = {TRIB_WRITE_DELETE, TRIB_WRITE_UPDATE, TRIB_WRITE_INSERT};
    MergeShared *self = context->shared;
    *step = STEP_FINISHED;
    if (!self->transaction)
        return error_set(err, ERR_UNSUPPORTED, "MERGE needs a catalog with transactions");
    for (size_t k = 0; k < COUNT_OF(order); k++) {
        for (uint32_t a = 0; a < self->node->as.merge.nactions; a++)
            if (self->node->as.merge.requests[a].kind == order[k])
                TRY(action_write(self, a, context->arena, err));
    }
    return TRIB_OK;
}

const Operator op_merge = {
    .name = "merge",
    .shared_size = sizeof(MergeShared),
    .open = merge_open,
    .close = merge_close,
    .consume = merge_consume,
    .finish = merge_finish,
};
