/*
 * op_recursive.c - WITH RECURSIVE: the first part, then the step over and over; op_working - the rows that
 * the step reads.
 *
 * Roles. Sink: the rows of the first part go to the working table. Source, one worker: puts them out, then
 * runs the step's plan as an execution of its own (NestedRun) whose leaf op_working reads the working table.
 * The step's rows are put out and become the next working table; it ends when a step has no rows. One step
 * more than max_recursion_depth is an error. Nobody waits: while the step runs the source is blocked and is
 * woken by it. UNION without ALL: the plan of the step leaves out the rows that are in `seen` already.
 *
 * op_working. Source, parallel: workers share the pages of the table. The step's plan reads `seen` to its
 * end (it is the build side of an anti join) before the step's first row comes out and is added to it.
 *
 * Memory: the tables are RowBuffers, which spill. Order: none promised.
 */
#include <stdatomic.h>

#include "engine/exec/recursive.h"

typedef struct RecursiveLocal {
    RowBufferWriter *working, *seen; /* of the sink */
} RecursiveLocal;

static Status recursive_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    RecursiveShared *self = shared;
    self->node = node;
    self->query = query;
    TRY(row_buffer_new(node, query, &self->working, err));
    if (!node->as.recursive.distinct) return TRIB_OK;
    return row_buffer_new(node, query, &self->seen, err);
}

static void recursive_close(void *shared) {
    RecursiveShared *self = shared;
    row_buffer_free(self->working);
    row_buffer_free(self->next);
    row_buffer_free(self->seen);
}

static Status recursive_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    RecursiveShared *shared = context->shared;
    RecursiveLocal *self = context->local;
    *step = STEP_NEED_INPUT;
    if (!self->working) TRY(row_buffer_writer_new(shared->working, &self->working, err));
    TRY(row_buffer_write(self->working, in, err));
    if (!shared->seen) return TRIB_OK;
    if (!self->seen) TRY(row_buffer_writer_new(shared->seen, &self->seen, err));
    return row_buffer_write(self->seen, in, err);
}

static Status recursive_combine(OpContext *context, Error *err) {
    RecursiveLocal *self = context->local;
    if (self->working) TRY(row_buffer_writer_flush(self->working, err));
    return self->seen ? row_buffer_writer_flush(self->seen, err) : TRIB_OK;
}

/* The rows of the first part, as they are in the working table. */
static Status produce_first(OpContext *context, Batch *out, bool *some, Error *err) {
    RecursiveShared *self = context->shared;
    if (!self->reader)
        TRY(row_buffer_reader_new(self->working, context->arena, NULL, &self->reader, err));
    TRY(row_buffer_read(self->reader, out, some, err));
    if (*some) return TRIB_OK;
    row_buffer_reader_end(self->reader);
    self->reader = NULL;
    self->begun = true;
    return TRIB_OK;
}

static Status step_start(OpContext *context, Error *err) {
    RecursiveShared *self = context->shared;
    Query *query = context->query;
    int64_t most = query->session->max_recursion_depth;
    if (self->steps == most) {
        error_set_at(err, ERR_LIMIT, context->node->line, context->node->column,
                     "the recursive query has not ended after %lld steps", (long long)most);
        return error_hint(err, "SET SESSION max_recursion_depth = n allows more.");
    }
    self->steps++;
    TRY(row_buffer_new(self->node, query, &self->next, err));
    TRY(row_buffer_writer_new(self->next, &self->next_writer, err));
    if (self->seen && !self->seen_writer)
        TRY(row_buffer_writer_new(self->seen, &self->seen_writer, err));
    return query->nested->start(query, self->node->as.recursive.step, context->waker, &self->run,
                                err);
}

/* The step's next batch is put out, and kept for the step after it. */
static Status step_keep(RecursiveShared *self, const Batch *from, Batch *out, Error *err) {
    TRY(batch_columns(out, from->ncolumns, err));
    memcpy(out->columns, from->columns, from->ncolumns * sizeof *from->columns);
    out->count = from->count;
    out->selection = from->selection;
    out->selected = from->selected;
    TRY(row_buffer_write(self->next_writer, out, err));
    return self->seen ? row_buffer_write(self->seen_writer, out, err) : TRIB_OK;
}

static Status step_end(RecursiveShared *self, Error *err) {
    self->query->nested->free(self->run);
    self->run = NULL;
    TRY(row_buffer_writer_flush(self->next_writer, err));
    if (self->seen) TRY(row_buffer_writer_flush(self->seen_writer, err));
    row_buffer_free(self->working);
    self->working = self->next;
    self->next = NULL;
    return TRIB_OK;
}

static Status recursive_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    RecursiveShared *self = context->shared;
    bool some = false;
    *step = STEP_HAVE_OUTPUT;
    if (!self->begun) TRY(produce_first(context, out, &some, err));
    if (some) return TRIB_OK;
    for (;;) {
        TRY(cancel_check(context->query->cancel, err));
        if (!self->run && row_buffer_rows(self->working) == 0) {
            *step = STEP_FINISHED;
            return TRIB_OK;
        }
        if (!self->run) TRY(step_start(context, err));
        bool done;
        Batch *batch;
        TRY(context->query->nested->next(self->run, &done, &batch, err));
        if (batch) return step_keep(self, batch, out, err);
        if (!done) {
            *step = STEP_BLOCKED;
            return TRIB_OK;
        }
        TRY(step_end(self, err));
    }
}

/* Nobody wants more: the step must not go on, and the reader lies in memory of the task that ends. */
static void recursive_local_close(OpContext *context) {
    RecursiveShared *self = context->shared;
    if (context->role != ROLE_SOURCE) return;
    if (self->run) context->query->nested->stop(self->run);
    row_buffer_reader_end(self->reader);
    self->reader = NULL;
}

const Operator op_recursive = {
    .name = "recursive",
    .shared_size = sizeof(RecursiveShared),
    .local_size = sizeof(RecursiveLocal),
    .open = recursive_open,
    .close = recursive_close,
    .local_close = recursive_local_close,
    .consume = recursive_consume,
    .combine = recursive_combine,
    .produce = recursive_produce,
    .source_ordered = true,
};

/* ---------------------------------------------------------------- the rows that the step reads */

typedef struct WorkingShared {
    _Atomic uint32_t page; /* the next one that is to be read */
} WorkingShared;

typedef struct WorkingLocal {
    RowBufferReader *reader;
} WorkingLocal;

static Status working_local_open(OpContext *context, Error *err) {
    WorkingShared *shared = context->shared;
    WorkingLocal *self = context->local;
    const PhysNode *node = context->node;
    const RecursiveShared *recursion = context->query->shared[node->as.working.recursion->id];
    const RowBuffer *table = node->as.working.seen ? recursion->seen : recursion->working;
    return row_buffer_reader_new(table, context->arena, &shared->page, &self->reader, err);
}

static void working_local_close(OpContext *context) {
    WorkingLocal *self = context->local;
    row_buffer_reader_end(self->reader);
    self->reader = NULL;
}

static Status working_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    WorkingLocal *self = context->local;
    bool some;
    TRY(row_buffer_read(self->reader, out, &some, err));
    *step = some ? STEP_HAVE_OUTPUT : STEP_FINISHED;
    return TRIB_OK;
}

const Operator op_working = {
    .name = "working table",
    .shared_size = sizeof(WorkingShared),
    .local_size = sizeof(WorkingLocal),
    .local_open = working_local_open,
    .local_close = working_local_close,
    .produce = working_produce,
};
