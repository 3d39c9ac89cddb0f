/*
 * op_scan.c - reads a table through its source.
 *
 * Role: source, any number of workers. Shared: one ScanStream, whose I/O threads read splits ahead into
 * a bounded queue (connectors that never block are read by the workers themselves). Local: a ScanReader.
 * The stream starts with its pipeline, that is after the build sides of the joins above it are finished,
 * so that their runtime filters go out with the first request. Where no filter will come, or none that is
 * worth waiting for, it starts with the query as long as connections are spare (scan_prefetch).
 * Filters may come from several joins that finish at the same time: they are added under a lock.
 * Where the source takes no filter and the rows would be grouped before they are joined, the rows
 * themselves are tested against the values that the join knows.
 * Order: none across splits.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/join.h"

/* Values that an integer column may have: rows with others are left out. */
typedef struct ValueFilter {
    struct ValueFilter *next;
    uint32_t output, index;
    RowLayout *layout; /* of the one column */
    const KeyFilter *filter;
} ValueFilter;

typedef struct ScanShared {
    ScanStream *stream;
    const PhysNode *node;
    pthread_mutex_t lock; /* guards arena, nkeys, keys while joins add theirs */
    bool lock_made;
    Arena *arena; /* of the filters */
    TribFilter filter;
    uint32_t nkeys;
    TribFilterKey *keys;
    uint32_t nvalues;
    ValueFilter *values;
    _Atomic bool begun; /* the pipeline runs: no more keys will come */
    _Atomic uint32_t readers;
    _Atomic int64_t taken; /* rows, for the limit */
} ScanShared;

typedef struct ScanLocal {
    ScanReader *reader;
    KeyTrial *trials; /* by value filter */
} ScanLocal;

/* All keys were added before the pipeline began. */
static bool filter_ready(TribFilter *filter, uint32_t *nkeys, const TribFilterKey **keys) {
    ScanShared *self = filter->self;
    if (!atomic_load(&self->begun)) return false;
    *nkeys = self->nkeys;
    *keys = self->keys;
    return true;
}

static bool scan_stalled(void *context) {
    Query *query = context;
    return query->stalled(query);
}

static Status scan_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    ScanShared *self = shared;
    self->node = node;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    TRY_ALLOC(self->arena, arena_new(query->arena), err);
    self->filter = (TribFilter){.size = sizeof self->filter, .self = self, .ready = filter_ready};
    ScanParams params = {.plan = node->as.scan.plan,
                         .call = query->call,
                         .ncolumns = node->ncolumns,
                         .types = node->types,
                         .threads = query->workers,
                         .filter = node->as.scan.nfilters ? &self->filter : NULL,
                         .nparams = query->nparams,
                         .params = query->params,
                         .budget = query->budget,
                         .limit = node->as.scan.limit,
                         .transaction =
                             source_call_tx(source_plan_source(node->as.scan.plan), &query->call),
                         .for_update = node->as.scan.for_update,
                         .max_value = query->session ? query->session->max_value_size : 0,
                         .stalled = query->stalled ? scan_stalled : NULL,
                         .stalled_context = query,
                         .stall_ns = query->stall_ns};
    return scan_stream_new(&params, &self->stream, err);
}

static void scan_close(void *shared) {
    ScanShared *self = shared;
    if (self->stream) scan_stream_free(self->stream, INT64_C(1000000000));
    self->stream = NULL;
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
    self->lock_made = false;
}

void scan_prefetch(void *scan_shared) {
    ScanShared *self = scan_shared;
    if (self->stream && self->node->as.scan.nawaited == 0) scan_stream_prefetch(self->stream);
}

bool scan_is_reading(const void *scan_shared, const Source *source) {
    const ScanShared *self = scan_shared;
    return self->stream && scan_stream_is_reading(self->stream, source);
}

/* Under the lock. */
static Status filter_add(ScanShared *self, uint32_t output, bool complete, uint32_t nvalues,
                         const TribValue *values, Error *err) {
    TribFilterKey key = {.output = output, .complete = complete};
    TribValue *copy;
    TRY_ALLOC(copy, ARENA_ARRAY(self->arena, TribValue, nvalues), err);
    for (uint32_t i = 0; i < nvalues; i++) {
        TRY(value_copy(self->arena, &values[i], &copy[i], err));
        copy[i].type = self->node->types[output]; /* keys of a join may be varchar of two lengths */
    }
    key.minimum.type.id = key.maximum.type.id = TRIB_TYPE_UNKNOWN;
    for (uint32_t i = 0; i < nvalues; i++) {
        if (!type_orderable(copy[i].type)) break;
        if (i == 0 || value_compare(&copy[i], &key.minimum) < 0) key.minimum = copy[i];
        if (i == 0 || value_compare(&copy[i], &key.maximum) > 0) key.maximum = copy[i];
    }
    if (complete) {
        key.nvalues = nvalues;
        key.values = copy;
    }
    TribFilterKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(self->arena, TribFilterKey, self->nkeys + 1), err);
    if (self->nkeys) memcpy(keys, self->keys, self->nkeys * sizeof *keys);
    keys[self->nkeys] = key;
    self->keys = keys;
    self->nkeys++;
    return TRIB_OK;
}

Status scan_add_filter(void *scan_shared, uint32_t output, bool complete, uint32_t nvalues,
                       const TribValue *values, Error *err) {
    ScanShared *self = scan_shared;
    pthread_mutex_lock(&self->lock);
    Status status = filter_add(self, output, complete, nvalues, values, err);
    pthread_mutex_unlock(&self->lock);
    return status;
}

Status scan_add_values(void *scan_shared, uint32_t output, const struct KeyFilter *filter,
                       Error *err) {
    ScanShared *self = scan_shared;
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    ValueFilter *values = ARENA_NEW(self->arena, ValueFilter);
    if (!values) status = error_out_of_memory(err);
    if (status == TRIB_OK)
        status = row_layout_new(self->arena, 1, &self->node->types[output], 0, 0, 8,
                                &values->layout, err);
    if (status == TRIB_OK) {
        values->output = output;
        values->index = self->nvalues++;
        values->filter = filter;
        values->next = self->values;
        self->values = values;
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

/* Narrows the batch to rows with values that the joins above can use. */
static Status values_apply(const ScanShared *self, ScanLocal *local, Batch *batch, Error *err) {
    for (const ValueFilter *v = self->values; v && batch->selected > 0; v = v->next) {
        FlatColumn column;
        KeyTrial *trial = &local->trials[v->index];
        if (trial->given_up) continue;
        uint16_t *kept;
        TRY_ALLOC(kept, ARENA_ARRAY(batch->arena, uint16_t, batch->selected + 1), err);
        TRY(row_flatten(&v->layout->columns[0], &batch->columns[v->output], batch->selection,
                        batch->selected, batch->count, batch->arena, &column, err));
        uint32_t tested = batch->selected,
                 passed = key_filter_test(v->filter, &column, batch->selection, tested, kept);
        key_trial_pays(trial, tested, passed);
        if (passed == tested) continue;
        batch->selection = kept;
        batch->selected = passed;
    }
    return TRIB_OK;
}

static Status scan_local_open(OpContext *context, Error *err) {
    ScanShared *self = context->shared;
    ScanLocal *local = context->local;
    atomic_store(&self->begun, true);
    scan_stream_start(self->stream);
    TRY_ALLOC(local->trials, ARENA_ARRAY(context->arena, KeyTrial, self->nvalues), err);
    TRY(scan_reader_new(self->stream, context->arena, &local->reader, err));
    atomic_fetch_add(&self->readers, 1);
    return TRIB_OK;
}

/* The last reader to go ends the stream: a LIMIT above may have had enough. */
static void scan_local_close(OpContext *context) {
    ScanShared *self = context->shared;
    ScanLocal *local = context->local;
    if (!local->reader) return;
    scan_reader_free(local->reader);
    local->reader = NULL;
    if (atomic_fetch_sub(&self->readers, 1) == 1) scan_stream_stop(self->stream);
}

static Status scan_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    ScanShared *self = context->shared;
    ScanLocal *local = context->local;
    int64_t limit = self->node->as.scan.limit;
    if (limit >= 0 && atomic_load(&self->taken) >= limit) {
        *step = STEP_FINISHED;
        return TRIB_OK;
    }
    StreamStep stream_step;
    for (;;) {
        TRY(scan_reader_next(local->reader, context->waker, out, &stream_step, err));
        if (stream_step != STREAM_BATCH || !self->values) break;
        TRY(values_apply(self, local, out, err));
        if (out->selected > 0) break;
        batch_clear(out);
    }
    switch (stream_step) {
    case STREAM_BATCH:
        *step = STEP_HAVE_OUTPUT;
        atomic_fetch_add(&self->taken, out->selected);
        break;
    case STREAM_BLOCKED: *step = STEP_BLOCKED; break;
    case STREAM_END: *step = STEP_FINISHED; break;
    }
    return TRIB_OK;
}

void scan_counters(const void *scan_shared, ScanCounters *out) {
    const ScanShared *self = scan_shared;
    memset(out, 0, sizeof *out);
    if (self->stream) scan_stream_counters(self->stream, out);
}

const Operator op_scan = {
    .name = "scan",
    .shared_size = sizeof(ScanShared),
    .local_size = sizeof(ScanLocal),
    .open = scan_open,
    .close = scan_close,
    .local_open = scan_local_open,
    .local_close = scan_local_close,
    .produce = scan_produce,
};
