/*
 * op_window.c - window functions over one partitioning and order.
 *
 * Roles. Sink: rows are collected and sorted by partition and order exactly as ORDER BY does it (sort.h);
 * afterwards there is one sorted list, in memory or as one run on disk. Source: workers take ranges of
 * whole partitions and go through them batch by batch. In each batch the keys are compared with those of
 * the row before, a column at a time; the pieces of partitions that this gives are handed to each
 * function (window_rank.c, window_value.c, window_aggregate.c).
 *
 * Memory: that of the sort. On disk a worker holds the pages of its batch, of the arguments being added
 * up, and some in which it looks for bounds; a partition may be larger than memory. What functions need
 * beside rows: a state per row of a batch; trees of states for sliding frames (their size is chosen by
 * what the grant gives); a bit per row of the partition for IGNORE NULLS.
 *
 * Where a filter above wants only the first rows of each partition, most others are not even stored
 * (window_keep.c).
 *
 * Parallel: partitions of rows in memory, and a single partition where only ranks are asked for. A list on
 * disk, or a single partition otherwise, is put out by one worker. Order: by partition and order within a range; ranges come as workers finish them. Threads:
 * WindowShared is read-only after finish but for the next range; a WindowSource belongs to one task.
 */
#include "engine/exec/window.h"

#include "engine/exec/row_serial.h"
#include "engine/exec/window_keep.h"

#define CHUNKS_PER_WORKER 8
#define CHUNK_ROWS        (4 * BATCH_ROWS) /* smaller ranges are not worth their start */
#define BATCH_HELD        (UINT64_C(1) << 20)

typedef struct WindowLocal {
    SortWorker *worker;
    SortInput input;
    WindowKeep *keep; /* only the first rows of partitions are wanted */
    WindowSource *source;
} WindowLocal;

/* ---------------------------------------------------------------- the sink: a sort */

static uint64_t window_min_memory(const PhysNode *node, uint32_t workers) {
    return op_sort.min_memory(node, workers);
}

static Status window_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    WindowShared *self = shared;
    self->node = node;
    self->keys = node->as.window.keys;
    self->sort.one = true;
    self->sort.dying = node->as.window.keep > 0;
    return sort_open(node, query, &self->sort, node->as.window.nkeys, self->keys, -1, 0, err);
}

static Status window_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    WindowLocal *self = context->local;
    WindowShared *shared = context->shared;
    *step = STEP_NEED_INPUT;
    if (in->selected == 0) return TRIB_OK;
    TRY(cancel_check(context->query->cancel, err));
    if (!self->worker) {
        TRY(sort_input_new(&shared->sort, context->arena, &self->input, err));
        TRY(sort_worker_new(&shared->sort, &self->worker, err));
        if (shared->sort.dying)
            TRY(window_keep_new(shared, self->worker, context->arena, &self->keep, err));
    }
    if (self->keep) return window_keep_append(self->keep, &self->input, in, err);
    return sort_worker_append(&shared->sort, self->worker, &self->input, in, in->selection,
                              in->selected, err);
}

static Status window_combine(OpContext *context, Error *err) {
    WindowLocal *self = context->local;
    WindowShared *shared = context->shared;
    if (!self->worker) return TRIB_OK;
    window_keep_close(self->keep);
    self->keep = NULL;
    pthread_mutex_lock(&shared->sort.lock);
    for (uint32_t c = 0; c < shared->sort.spec.layout->ncolumns; c++)
        shared->sort.may_null[c] |= self->worker->store.may_null[c];
    pthread_mutex_unlock(&shared->sort.lock);
    return sort_worker_run(&shared->sort, self->worker, true, err);
}

static uint32_t window_finish_tasks(const PhysNode *node, void *shared) {
    return op_sort.finish_tasks(node, shared);
}

/* ---------------------------------------------------------------- the source: opening */

static void source_free(WindowSource *self) {
    if (!self) return;
    for (uint32_t w = 0; self->evals && w < self->node->as.window.nwindows; w++) {
        WindowEval *eval = self->evals[w];
        if (eval && eval->kind->close) eval->kind->close(eval);
    }
    window_rows_release(&self->rows, &self->hold);
    window_rows_close(&self->rows);
    arena_free(self->arena);
    heap_free(self);
}

static Status eval_new(WindowSource *self, const PhysWindow *window, WindowEval **out, Error *err) {
    const WindowFunction *f = window->call->function;
    if (!f) return window_aggregate_new(self, window, out, err);
    bool value = f->treats_nulls;
    return value ? window_value_new(self, window, out, err)
                 : window_rank_new(self, window, out, err);
}

static Status source_fill(WindowSource *self, Error *err) {
    const PhysNode *node = self->node;
    const RowLayout *layout = self->shared->sort.spec.layout;
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    TRY(window_rows_open(&self->rows, &self->shared->sort, self->arena, err));
    TRY_ALLOC(self->addresses, ARENA_ARRAY(self->arena, uint8_t *, BATCH_ROWS + 1), err);
    self->addresses++;
    for (uint32_t i = 0; i < BATCH_ROWS; i++) self->identity[i] = (uint16_t)i;
    TRY_ALLOC(self->rooms, ARENA_ARRAY(self->arena, ColumnRoom, node->as.window.npass), err);
    for (uint32_t c = 0; c < node->as.window.npass; c++)
        TRY(column_room_new(self->arena, &layout->columns[node->as.window.pass[c]], &self->rooms[c],
                            err));
    TRY_ALLOC(self->evals, ARENA_ARRAY(self->arena, WindowEval *, node->as.window.nwindows), err);
    for (uint32_t w = 0; w < node->as.window.nwindows; w++)
        TRY(eval_new(self, &node->as.window.windows[w], &self->evals[w], err));
    return TRIB_OK;
}

/* Ranks over a single partition depend on nothing but the number of rows before theirs or before their peers:
 * ranges may begin at any row that is not a peer of the one before. */
static bool is_divisible(const PhysNode *node) {
    if (node->as.window.npartition > 0) return false;
    for (uint32_t w = 0; w < node->as.window.nwindows; w++) {
        const WindowFunction *f = node->as.window.windows[w].call->function;
        bool rank = f && (f->id == TRIB_FN_row_number || f->id == TRIB_FN_rank ||
                          f->id == TRIB_FN_percent_rank || f->id == TRIB_FN_cume_dist ||
                          f->id == TRIB_FN_ntile);
        if (!rank) return false;
    }
    return true;
}

/* Ranges hold whole runs of rows that are equal in so many keys. */
static void chunk_level(WindowSource *self) {
    const PhysNode *node = self->node;
    self->chunk_level = node->as.window.npartition;
    self->divisible = is_divisible(node);
    if (!self->divisible) return;
    self->chunk_level = node->as.window.nkeys;
    for (uint32_t w = 0; w < node->as.window.nwindows; w++) {
        uint16_t id = node->as.window.windows[w].call->function->id;
        bool peers = id != TRIB_FN_row_number && id != TRIB_FN_ntile;
        if (peers && self->evals[w]->level < self->chunk_level)
            self->chunk_level = self->evals[w]->level;
    }
    self->part_end = self->rows.count;
}

static void chunks_count(WindowShared *shared, const WindowSource *source) {
    pthread_mutex_lock(&shared->sort.lock);
    if (shared->nchunks == 0) {
        uint64_t most = source->rows.count / CHUNK_ROWS + 1;
        uint32_t workers = shared->sort.query->workers;
        bool cut = shared->node->as.window.npartition > 0 || source->divisible;
        bool parallel = cut && !source->rows.pages && workers > 1;
        uint64_t n = parallel ? workers * CHUNKS_PER_WORKER : 1;
        shared->nchunks = (uint32_t)(n < most ? n : most);
        if (!parallel) shared->nchunks = 1;
    }
    pthread_mutex_unlock(&shared->sort.lock);
}

static Status source_new(OpContext *context, WindowSource **out, Error *err) {
    WindowSource *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    *out = self;
    self->shared = context->shared;
    self->node = context->node;
    self->query = context->query;
    TRY(source_fill(self, err));
    chunk_level(self);
    chunks_count(self->shared, self);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- ranges of partitions */

/* The first row, from `row` on, that begins a partition (or, in a single one, a group of peers). */
static Status chunk_bound(WindowSource *self, uint64_t row, uint64_t *out, Error *err) {
    *out = row;
    if (row == 0 || row >= self->rows.count) return TRIB_OK;
    return window_run_end(self, row - 1, self->rows.count, self->chunk_level, out, err);
}

static Status chunk_next(WindowSource *self, bool *more, Error *err) {
    WindowShared *shared = self->shared;
    uint64_t rows = self->rows.count;
    for (;;) {
        uint32_t chunk = atomic_fetch_add(&shared->next_chunk, 1);
        *more = chunk < shared->nchunks;
        if (!*more) return TRIB_OK;
        TRY(chunk_bound(self, rows / shared->nchunks * chunk, &self->low, err));
        self->high = rows;
        if (chunk + 1 < shared->nchunks)
            TRY(chunk_bound(self, rows / shared->nchunks * (chunk + 1), &self->high, err));
        self->at = self->low;
        if (self->low < self->high) return TRIB_OK;
    }
}

/* ---------------------------------------------------------------- which keys differ */

#define LOAD(T, variable, from) \
    T variable;                 \
    memcpy(&variable, (from), sizeof(T))

/* A NULL column holds zero bytes, so that its bytes and its bit say whether values are equal. */
#define DIFFER(T)                                                                    \
    for (uint32_t i = from; i < count; i++) {                                        \
        const uint8_t *a = rows[(int64_t)i - 1], *b = rows[i];                       \
        LOAD(T, x, a + offset);                                                      \
        LOAD(T, y, b + offset);                                                      \
        bool differs = (x != y) | (((a[null_byte] ^ b[null_byte]) >> null_bit) & 1); \
        if (differs) self->differs[i] = (uint16_t)k;                                 \
    }                                                                                \
    return

static void key_differs(WindowSource *self, uint32_t k, uint32_t from, uint32_t count) {
    const RowLayout *layout = self->shared->sort.spec.layout;
    uint32_t ordinal = self->shared->keys[k].ordinal;
    const RowColumn *column = &layout->columns[ordinal];
    uint32_t offset = column->offset;
    uint32_t null_byte = layout->validity_offset + ordinal / 8, null_bit = ordinal % 8;
    uint8_t **rows = self->addresses;
    switch (column->physical) {
    case PHYS_BOOL:
    case PHYS_INT8: DIFFER(uint8_t);
    case PHYS_INT16: DIFFER(uint16_t);
    case PHYS_INT32: DIFFER(uint32_t);
    case PHYS_INT64: DIFFER(uint64_t);
    case PHYS_INT128: DIFFER(UInt128);
    default: break;
    }
    for (uint32_t i = from; i < count; i++) {
        const uint8_t *a = rows[(int64_t)i - 1], *b = rows[i];
        bool null_a = row_is_null(layout, a, ordinal), null_b = row_is_null(layout, b, ordinal);
        if (null_a != null_b || (!null_a && row_compare(layout, ordinal, a, b) != 0))
            self->differs[i] = (uint16_t)k;
    }
}

/* The first key in which each row of the batch differs from the row before it. */
static Status batch_compare(WindowSource *self, uint32_t count, Error *err) {
    uint32_t nkeys = self->node->as.window.nkeys, from = self->at == self->low ? 1 : 0;
    for (uint32_t i = 0; i < count; i++) self->differs[i] = (uint16_t)nkeys;
    if (from == 0)
        TRY(window_row(&self->rows, self->at - 1, &self->addresses[-1], err));
    else
        self->differs[0] = 0;
    for (uint32_t k = nkeys; k-- > 0;) key_differs(self, k, from, count);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- putting out */

/* Hands each partition's piece of the batch to the functions. */
static Status batch_pieces(WindowSource *self, uint32_t count, Error *err) {
    uint32_t npartition = self->node->as.window.npartition;
    for (uint32_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && self->differs[to] >= npartition;) to++;
        WindowPiece piece = {.row = self->at + from, .count = to - from, .position = from};
        bool first = self->divisible ? piece.row == 0 : piece.row == self->low;
        piece.begins = first || self->differs[from] < npartition;
        if (piece.begins && !self->divisible) {
            self->part_start = piece.row;
            self->part_end = self->at + to;
            if (to == count)
                TRY(window_run_end(self, self->at + to - 1, self->high, npartition, &self->part_end,
                                   err));
        }
        for (uint32_t w = 0; w < self->node->as.window.nwindows; w++) {
            const WindowEval *eval = self->evals[w];
            Status status = eval->kind->piece(self->evals[w], &piece, err);
            TRY(error_place(err, status, eval->window->line, eval->window->column));
        }
    }
    return TRIB_OK;
}

static Status batch_output(WindowSource *self, uint32_t count, Batch *out, Error *err) {
    const PhysNode *node = self->node;
    const SortShared *sort = &self->shared->sort;
    TRY(batch_columns(out, node->ncolumns, err));
    for (uint32_t c = 0; c < node->as.window.npass; c++) {
        uint32_t ordinal = node->as.window.pass[c];
        TRY(row_gather(sort->spec.layout, ordinal, self->addresses, count, NULL, count,
                       sort->may_null[ordinal], &self->rooms[c], out->arena, &out->columns[c],
                       err));
    }
    for (uint32_t w = 0; w < node->as.window.nwindows; w++) {
        WindowEval *eval = self->evals[w];
        Status status =
            eval->kind->output(eval, count, out, &out->columns[node->as.window.npass + w], err);
        TRY(error_place(err, status, eval->window->line, eval->window->column));
    }
    out->count = out->selected = count;
    return TRIB_OK;
}

static Status window_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    WindowLocal *local = context->local;
    TRY(cancel_check(context->query->cancel, err));
    if (!local->source) TRY(source_new(context, &local->source, err));
    WindowSource *self = local->source;
    *step = STEP_FINISHED;
    bool more = self->at < self->high;
    if (!more) TRY(chunk_next(self, &more, err));
    if (!more) return TRIB_OK;
    uint32_t most = context->query->batch_rows;
    if (most == 0 || most > BATCH_ROWS) most = BATCH_ROWS;
    uint64_t to = self->at + most < self->high ? self->at + most : self->high;
    TRY(window_rows_hold(&self->rows, self->at, &to, BATCH_HELD, &self->hold, err));
    uint32_t count = (uint32_t)(to - self->at);
    window_rows_addresses(&self->rows, self->at, count, self->addresses);
    TRY(batch_compare(self, count, err));
    TRY(batch_pieces(self, count, err));
    TRY(batch_output(self, count, out, err));
    self->at = to;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

static void window_local_close(OpContext *context) {
    WindowLocal *self = context->local;
    window_keep_close(self->keep);
    self->keep = NULL;
    source_free(self->source);
    self->source = NULL;
}

const Operator op_window = {
    .name = "window",
    .shared_size = sizeof(WindowShared),
    .local_size = sizeof(WindowLocal),
    .min_memory = window_min_memory,
    .open = window_open,
    .close = sort_close,
    .local_close = window_local_close,
    .consume = window_consume,
    .combine = window_combine,
    .finish = sort_finish,
    .finish_tasks = window_finish_tasks,
    .produce = window_produce,
};
