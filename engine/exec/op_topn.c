/*
 * op_topn.c - ORDER BY with LIMIT or FETCH FIRST: the first rows of an order, without sorting the others.
 *
 * Roles as in op_sort. Each worker collects rows until it has several times as many as are wanted,
 * then keeps the first of them in order and drops the rest. From then on the last one kept is a
 * bound: rows that are behind it in the first sort column are dropped as they come. What is left is
 * merged as sorted runs are.
 *
 * WITH TIES: rows equal to the last one stay too, and op_ties above cuts where the limit ends.
 *
 * Memory: some 16,000 rows, or twice the limit (and what is equal to the last row); a limit that does
 * not fit makes runs on disk, as in op_sort.
 */
#include "engine/exec/sort.h"

#define ROWS_LEAST 16384 /* collected before rows are dropped */

typedef struct TopnLocal {
    SortWorker *worker;
    SortInput input;
    SortSource *source;
    bool bounded;
    uint64_t least; /* rows collected before some are dropped; 0: ROWS_LEAST */
    Vector bound;   /* one position: the first sort column of the last row kept */
    ColumnRoom bound_room;
    Arena *bound_arena;
    uint16_t selection[BATCH_ROWS];
} TopnLocal;

static uint64_t topn_min_memory(const PhysNode *node, uint32_t workers) {
    return op_sort.min_memory(node, workers);
}

static Status topn_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    int64_t offset = node->as.sort.offset > 0 ? node->as.sort.offset : 0;
    bool ties = node->as.sort.ties; /* the number of rows is known in the end only: op_ties cuts */
    return sort_open(node, query, shared, node->as.sort.nkeys, node->as.sort.keys,
                     ties ? -1 : node->as.sort.limit, ties ? 0 : offset, err);
}

static uint64_t rows_wanted(const SortShared *shared) {
    const PhysNode *node = shared->node;
    if (node->as.sort.limit < 0) return UINT64_MAX;
    int64_t offset = node->as.sort.offset > 0 ? node->as.sort.offset : 0;
    return (uint64_t)node->as.sort.limit + (uint64_t)offset;
}

/* The bound outlives the page that it was read from. */
static Status bound_own(TopnLocal *self, Error *err) {
    StrView *text = self->bound.data;
    if (self->bound.physical != PHYS_STRING || text->len <= STRVIEW_INLINE) return TRIB_OK;
    char *copy;
    TRY_ALLOC(copy, arena_copy(self->bound_arena, text->ptr, text->len), err);
    text->ptr = copy;
    return TRIB_OK;
}

/* How many of the sorted entries stay: those wanted, WITH TIES also those equal to the last of them. */
static uint64_t rows_kept(const SortShared *shared, const uint64_t *entries, uint64_t rows,
                          bool exact) {
    const SortSpec *spec = &shared->spec;
    uint64_t kept = rows_wanted(shared), stride = spec->words + 1;
    if (kept >= rows) return rows;
    if (kept == 0 || !shared->node->as.sort.ties) return kept;
    const uint64_t *last = entries + (kept - 1) * stride, *next = last + stride;
    while (kept < rows && sort_compare(spec, exact, last, sort_entry_row(spec, last), next,
                                       sort_entry_row(spec, next)) == 0) {
        kept++;
        next += stride;
    }
    return kept;
}

/* Keeps the first rows of the worker's: they move to a new store, whose last row becomes the
 * bound. */
static Status rows_drop(TopnLocal *self, SortShared *shared, Error *err) {
    SortWorker *worker = self->worker;
    const SortSpec *spec = &shared->spec;
    Block entries;
    uint64_t rows;
    bool exact;
    TRY(sort_worker_entries(shared, worker, true, &entries, &rows, &exact, err));
    uint64_t kept = rows_kept(shared, entries.data, rows, exact);
    self->least = kept * 2 > ROWS_LEAST ? kept * 2 : ROWS_LEAST;
    PageList old = worker->store.lists[0];
    worker->store.lists[0] = (PageList){0};
    row_store_restart(&worker->store, 0);
    const uint64_t *entry = entries.data;
    uint8_t *last = NULL;
    Status status = TRIB_OK;
    for (uint64_t i = 0; i < kept && status == TRIB_OK; i++, entry += spec->words + 1) {
        uint8_t *row = sort_entry_row(spec, entry);
        status = row_store_copy(&worker->store, &row, 1, NULL, &last, err);
    }
    bool nested = spec->layout->columns[spec->keys[0].ordinal].nested;
    if (status == TRIB_OK && last && kept >= rows_wanted(shared) && !nested) {
        arena_reset(self->bound_arena);
        status = row_gather(spec->layout, spec->keys[0].ordinal, &last, 1, NULL, 1, true,
                            &self->bound_room, self->bound_arena, &self->bound, err);
        if (status == TRIB_OK) status = bound_own(self, err);
        self->bounded = status == TRIB_OK;
    }
    block_free(&shared->grant, &entries);
    page_list_clear(&old, &shared->space);
    int64_t reserved = (int64_t)(kept * sort_entry_bytes(spec));
    grant_force(&shared->grant, reserved);
    worker->reserved += reserved;
    return status;
}

/* -1, 0, 1: the row's first sort column against the bound's. */
static int bound_compare(const TopnLocal *self, const PhysSortKey *key, const Vector *vector,
                         uint32_t position) {
    bool null = vector_is_null(vector, position), null_bound = vector_is_null(&self->bound, 0);
    if (null || null_bound) {
        if (null && null_bound) return 0;
        return null == key->nulls_first ? -1 : 1;
    }
    int order = vector_compare(vector, position, &self->bound, 0);
    return key->descending ? -order : order;
}

#define BOUND_LOOP(T)                                                                     \
    do {                                                                                  \
        const T *data = vector->data, limit = *(const T *)self->bound.data;               \
        for (uint32_t i = 0; i < in->selected; i++) {                                     \
            uint32_t position = in->selection ? in->selection[i] : i;                     \
            self->selection[count] = (uint16_t)position;                                  \
            count += key->descending ? data[position] >= limit : data[position] <= limit; \
        }                                                                                 \
        return count;                                                                     \
    } while (0)

/* The rows that are not behind the bound. */
static uint32_t bound_filter(TopnLocal *self, const PhysSortKey *key, const Batch *in) {
    const Vector *vector = &in->columns[key->ordinal];
    uint32_t count = 0;
    if (vector->form == VECTOR_FLAT && !vector->validity && !self->bound.validity) {
        if (vector->physical == PHYS_INT64) BOUND_LOOP(int64_t);
        if (vector->physical == PHYS_INT32) BOUND_LOOP(int32_t);
    }
    for (uint32_t i = 0; i < in->selected; i++) {
        uint32_t position = batch_row(in, i);
        self->selection[count] = (uint16_t)position;
        count += bound_compare(self, key, vector, position) <= 0;
    }
    return count;
}

static Status topn_local(OpContext *context, TopnLocal *self, Error *err) {
    SortShared *shared = context->shared;
    TRY(sort_input_new(shared, context->arena, &self->input, err));
    TRY_ALLOC(self->bound_arena, arena_new(context->arena), err);
    if (shared->spec.nkeys > 0)
        TRY(column_room_new(context->arena,
                            &shared->spec.layout->columns[shared->spec.keys[0].ordinal],
                            &self->bound_room, err));
    return sort_worker_new(shared, &self->worker, err);
}

static Status topn_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    TopnLocal *self = context->local;
    SortShared *shared = context->shared;
    uint64_t wanted = rows_wanted(shared);
    *step = wanted == 0 ? STEP_FINISHED : STEP_NEED_INPUT;
    if (in->selected == 0 || wanted == 0) return TRIB_OK;
    TRY(cancel_check(context->query->cancel, err));
    if (!self->worker) TRY(topn_local(context, self, err));
    const uint16_t *selection = in->selection;
    uint32_t count = in->selected;
    if (self->bounded) {
        count = bound_filter(self, &shared->spec.keys[0], in);
        selection = self->selection;
    }
    if (count == 0) return TRIB_OK;
    TRY(sort_worker_append(shared, self->worker, &self->input, in, selection, count, err));
    row_store_sync(&self->worker->store);
    uint64_t rows = self->worker->store.lists[0].rows;
    uint64_t least = self->least ? self->least : ROWS_LEAST;
    bool many = rows >= least && (wanted < UINT64_MAX / 2 && rows >= 2 * wanted);
    return many && shared->spec.nkeys > 0 ? rows_drop(self, shared, err) : TRIB_OK;
}

static Status topn_combine(OpContext *context, Error *err) {
    TopnLocal *self = context->local;
    SortShared *shared = context->shared;
    if (!self->worker) return TRIB_OK;
    pthread_mutex_lock(&shared->lock);
    for (uint32_t c = 0; c < shared->spec.layout->ncolumns; c++)
        shared->may_null[c] |= self->worker->store.may_null[c];
    pthread_mutex_unlock(&shared->lock);
    return sort_worker_run(shared, self->worker, true, err);
}

static uint32_t topn_finish_tasks(const PhysNode *node, void *shared) {
    return op_sort.finish_tasks(node, shared);
}

static Status topn_put(OpContext *context, Batch *out, Step *step, Error *err) {
    TopnLocal *self = context->local;
    return sort_produce(context, &self->source, out, step, err);
}

static void topn_local_close(OpContext *context) {
    TopnLocal *self = context->local;
    sort_source_free(self->source);
    self->source = NULL;
}

const Operator op_topn = {
    .name = "topn",
    .shared_size = sizeof(SortShared),
    .local_size = sizeof(TopnLocal),
    .min_memory = topn_min_memory,
    .open = topn_open,
    .close = sort_close,
    .local_close = topn_local_close,
    .consume = topn_consume,
    .combine = topn_combine,
    .finish = sort_finish,
    .finish_tasks = topn_finish_tasks,
    .produce = topn_put,
    .source_ordered = true,
};
