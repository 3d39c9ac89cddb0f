/*
 * stream.c - scans as the engine's workers see them: starting, reading, stopping.
 *
 * Two kinds of connectors are read in two ways:
 *   NONBLOCKING  each reader (worker) takes the next split and scans it itself: a split is a morsel.
 *   others       I/O threads (stream_io.c) push blocks into a bounded queue; readers take them out and
 *                turn them into vectors.
 *
 * Life: scan_stream_new copies everything that an I/O thread may look at, because threads can outlive
 * the query: scan_stream_free waits for them for a while and then lets them go. Each thread holds a
 * reference; what belongs to the query (its budget, its warnings) is detached before that.
 *
 * Locks, from the outer to the inner: the statement's token (while its callback runs) - a stream's lock
 * - a reader's waker. The tokens of I/O threads are set without the stream's lock, since that runs
 * callbacks of connectors. A source's lock may be taken under a stream's, never the reverse.
 */
#include "engine/source/internal.h"

/* ---------------------------------------------------------------- life */

void stream_retain(ScanStream *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void stream_unref(ScanStream *self) {
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    Source *source = self->source;
    source_plan_release(self->plan);
    source_tx_release(self->transaction);
    source_release(source);
    cancel_release(self->token);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->space);
    pthread_cond_destroy(&self->ended);
    heap_free(self->queue);
    arena_free(self->arena);
    heap_free(self);
}

static bool filter_ready(TribFilter *filter, uint32_t *nkeys, const TribFilterKey **keys) {
    ScanStream *self = filter->self;
    *nkeys = self->nkeys;
    *keys = self->keys;
    return true;
}

static Status params_copy(ScanStream *self, const ScanParams *params, Error *err) {
    TRY_ALLOC(self->types, ARENA_ARRAY(self->arena, Type, params->ncolumns), err);
    for (uint32_t i = 0; i < params->ncolumns; i++)
        TRY(type_copy(self->arena, params->types[i], &self->types[i], err));
    self->ncolumns = params->ncolumns;
    TRY_ALLOC(self->params, ARENA_ARRAY(self->arena, TribValue, params->nparams), err);
    for (uint32_t i = 0; i < params->nparams; i++)
        TRY(value_copy(self->arena, &params->params[i], &self->params[i], err));
    self->nparams = params->nparams;
    return TRIB_OK;
}

/* Runs on the thread that cancels, under the token's lock. */
static void stream_cancelled(void *context) {
    ScanStream *self = context;
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->space);
    stream_wake_readers(self);
    uint32_t generation = self->generation;
    pthread_mutex_unlock(&self->lock);
    stream_cancel_threads(self, generation + 1, cancel_reason(self->token));
}

static Status stream_setup(ScanStream *self, const ScanParams *params, Error *err) {
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    TRY(params_copy(self, params, err));
    self->queue_capacity = 4 * self->threads_max;
    TRY_ALLOC(self->queue, heap_alloc(sizeof(Block) * self->queue_capacity), err);
    if (params->budget) {
        if (!grant_init(&self->grant, params->budget, 0, false)) return error_out_of_memory(err);
        self->granted = true;
    }
    if (params->call.cancel) {
        self->token = params->call.cancel;
        cancel_retain(self->token);
    } else {
        TRY_ALLOC(self->token, cancel_new(), err);
    }
    TRY_ALLOC(self->cancel_handle, cancel_on(self->token, stream_cancelled, self), err);
    return TRIB_OK;
}

Status scan_stream_new(const ScanParams *params, ScanStream **out, Error *err) {
    ScanStream *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    self->plan = params->plan;
    source_plan_retain(self->plan);
    self->source = self->plan->source;
    source_retain(self->source);
    self->threads = params->threads ? params->threads : 1;
    self->ordered = params->ordered;
    self->threads_max = params->ordered ? 1 : self->source->max_connections;
    if (self->threads_max > 64) self->threads_max = 64;
    self->limit = params->limit;
    self->owner = params->call.owner;
    self->transaction = params->transaction;
    source_tx_retain(self->transaction);
    self->for_update = params->for_update;
    /* Inside a transaction everything runs on its one connection. */
    if (self->transaction) self->threads_max = 1;
    self->source_filter = params->filter;
    self->filter = (TribFilter){.size = sizeof(TribFilter), .self = self, .ready = filter_ready};
    self->deadline_ns = source_call_deadline(&params->call);
    self->warn = params->call.warn;
    self->warn_context = params->call.warn_context;
    self->stalled = params->stalled;
    self->stalled_context = params->stalled_context;
    self->stall_ns = params->stall_ns;
    self->max_value = params->max_value;
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->space, &monotonic);
    pthread_cond_init(&self->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    Status status = stream_setup(self, params, err);
    if (status != TRIB_OK) {
        scan_stream_free(self, 0);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static void block_release(Block *block) {
    if (block->batch.array.release) block->batch.array.release(&block->batch.array);
    if (block->schema)
        shared_schema_release(
            (SharedSchema *)((char *)block->schema - offsetof(SharedSchema, schema)));
    memset(block, 0, sizeof *block);
}

/* Under the lock: the next block leaves the queue. */
static Block queue_take(ScanStream *self) {
    Block block = self->queue[self->queue_first];
    self->queue_first = (self->queue_first + 1) % self->queue_capacity;
    self->queue_count--;
    if (self->granted) grant_shrink(&self->grant, (int64_t)block.bytes);
    return block;
}

/* Releases what the queue holds; connectors' release functions run without the lock. */
void stream_drop_queue(ScanStream *self, bool all) {
    for (;;) {
        pthread_mutex_lock(&self->lock);
        if (self->queue_count == 0 ||
            (!all && self->queue[self->queue_first].generation == self->generation)) {
            pthread_mutex_unlock(&self->lock);
            return;
        }
        Block block = queue_take(self);
        pthread_mutex_unlock(&self->lock);
        block_release(&block);
    }
}

void scan_stream_stop(ScanStream *self) {
    pthread_mutex_lock(&self->lock);
    bool before = self->stopped;
    self->stopped = true;
    uint32_t generation = self->generation;
    pthread_cond_broadcast(&self->space);
    stream_wake_readers(self);
    pthread_mutex_unlock(&self->lock);
    if (!before) stream_cancel_threads(self, generation + 1, CANCEL_CLOSED);
    stream_drop_queue(self, true);
}

static void threads_wait(ScanStream *self, int64_t wait_ns) {
    int64_t until = os_now_ns() + wait_ns;
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    while (self->live && os_now_ns() < until)
        (void)pthread_cond_timedwait(&self->ended, &self->lock, &at);
}

void scan_stream_free(ScanStream *self, int64_t wait_ns) {
    if (!self) return;
    if (self->cancel_handle) cancel_off(self->token, self->cancel_handle);
    self->cancel_handle = NULL;
    scan_stream_stop(self);
    source_remove_stream(self->source, self);
    pthread_mutex_lock(&self->lock);
    if (self->live && wait_ns > 0) threads_wait(self, wait_ns);
    /* From here on threads that are left touch nothing of the query. */
    self->abandoned = true;
    self->warn = NULL;
    self->stalled = NULL;
    if (self->granted) grant_clear(&self->grant);
    self->granted = false;
    for (IoThread *thread = self->live; thread; thread = thread->next) thread->frame.warn = NULL;
    pthread_mutex_unlock(&self->lock);
    stream_drop_queue(self, true);
    stream_unref(self);
}

/* ---------------------------------------------------------------- under the lock */

void stream_wake_readers(ScanStream *self) {
    for (ScanReader *reader = self->readers; reader; reader = reader->next) {
        if (!reader->waiting) continue;
        reader->waiting = false;
        waker_wake(&reader->waker);
    }
}

void stream_fail(ScanStream *self, const Error *err) {
    if (!self->failed && !self->stopped) {
        self->failed = true;
        self->error = *err;
        if (self->error.status == TRIB_OK) { /* never an end without its rows */
            (void)error_set(&self->error, ERR_GENERAL, "a scan failed without saying why");
            (void)error_source(&self->error, source_name(self->source));
        }
    }
    pthread_cond_broadcast(&self->space);
    stream_wake_readers(self);
}

void stream_count(ScanStream *self, TribScan *scan, TribStats *seen) {
    TribStats now = {.size = sizeof now};
    self->source->connector->scan_stats(scan, &now);
    self->counters.requests += now.requests - seen->requests;
    self->counters.retries += now.retries - seen->retries;
    self->counters.bytes += now.bytes - seen->bytes;
    self->counters.wait_ns += now.wait_ns - seen->wait_ns;
    self->counters.pages += now.pages - seen->pages;
    self->counters.scanned += now.scanned - seen->scanned;
    self->counters.capacity += now.capacity - seen->capacity;
    *seen = now;
}

void scan_stream_counters(ScanStream *self, ScanCounters *out) {
    pthread_mutex_lock(&self->lock);
    *out = self->counters;
    if (source_nonblocking(self->source)) out->rows = atomic_load(&self->rows_pushed);
    pthread_mutex_unlock(&self->lock);
}

int64_t scan_stream_stalled_ns(const ScanStream *self) {
    int64_t since = atomic_load(&self->stalled_since);
    return since ? os_now_ns() - since : 0;
}

/* ---------------------------------------------------------------- starting */

/* The keys of the runtime filter, once known, as copies of our own. */
static Status filter_copy(ScanStream *self, uint32_t nkeys, const TribFilterKey *keys, Error *err) {
    TribFilterKey *copies;
    TRY_ALLOC(copies, ARENA_ARRAY(self->arena, TribFilterKey, nkeys), err);
    for (uint32_t i = 0; i < nkeys; i++) {
        TribValue *values;
        copies[i] = keys[i];
        TRY(value_copy(self->arena, &keys[i].minimum, &copies[i].minimum, err));
        TRY(value_copy(self->arena, &keys[i].maximum, &copies[i].maximum, err));
        TRY_ALLOC(values, ARENA_ARRAY(self->arena, TribValue, keys[i].nvalues), err);
        for (size_t k = 0; k < keys[i].nvalues; k++)
            TRY(value_copy(self->arena, &keys[i].values[k], &values[k], err));
        copies[i].values = values;
    }
    self->keys = copies;
    self->nkeys = nkeys;
    self->filtered = nkeys > 0;
    return TRIB_OK;
}

/* Under the lock. false: it is not ready yet, and `without` it nothing shall begin. */
static bool stream_filter(ScanStream *self, bool without) {
    if (!self->source_filter || self->filtered) return true;
    uint32_t nkeys = 0;
    const TribFilterKey *keys = NULL;
    if (!self->source_filter->ready(self->source_filter, &nkeys, &keys)) return without;
    Error err;
    if (filter_copy(self, nkeys, keys, &err) == TRIB_OK) return true;
    stream_fail(self, &err);
    return false;
}

/* Under the lock. A filter that is not ready yet when rows are asked for is done without. */
static void stream_begin(ScanStream *self, bool required, bool unfiltered) {
    if (self->started || self->stopped || self->failed || source_nonblocking(self->source)) return;
    if (!stream_filter(self, required || unfiltered)) return;
    sources_watch_exit();
    source_add_stream(self->source, self);
    stream_launch(self, required);
}

void scan_stream_start(ScanStream *self) {
    pthread_mutex_lock(&self->lock);
    stream_begin(self, false, false);
    pthread_mutex_unlock(&self->lock);
}

/* In a transaction scans take turns: who reads ahead could keep the one from its turn that is waited for. */
void scan_stream_prefetch(ScanStream *self) {
    if (self->transaction) return;
    pthread_mutex_lock(&self->lock);
    stream_begin(self, false, true);
    pthread_mutex_unlock(&self->lock);
}

bool scan_stream_is_reading(ScanStream *self, const Source *source) {
    if (self->source != source) return false;
    pthread_mutex_lock(&self->lock);
    bool reading = false;
    for (IoThread *thread = self->live; thread; thread = thread->next)
        reading = reading || thread->has_permit;
    pthread_mutex_unlock(&self->lock);
    return reading;
}

/* The list belongs to the plan. */
Status stream_splits(ScanStream *self, TribCall *call, CancelToken *token, Error *err) {
    const TribConnector *connector = self->source->connector;
    const TribSplit *const *splits = NULL;
    uint32_t count = 0, wanted, attempt = 0;
    Status status;
    if (self->ordered || (self->transaction && !source_nonblocking(self->source)))
        wanted = 1;
    else if (source_nonblocking(self->source))
        wanted = UINT32_MAX;
    else
        wanted = self->threads > self->threads_max ? self->threads : self->threads_max;
    do {
        TRY(source_request_begin(self->source, token, err));
        error_clear(err);
        status = connector->splits(self->plan->plan, call, wanted, &splits, &count, err);
        source_request_end(self->source, status, 0);
    } while (status != TRIB_OK && source_retry(self->source, token, attempt++, err));
    if (status != TRIB_OK) return source_fault(self->source, token, status, err);
    pthread_mutex_lock(&self->lock);
    if (!self->splits_known) { /* a thread of an older generation may have been first */
        self->splits = splits;
        self->nsplits = count;
        self->splits_known = true;
        self->counters.splits = count;
    }
    pthread_mutex_unlock(&self->lock);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- readers */

Status scan_reader_new(ScanStream *stream, Arena *arena, ScanReader **out, Error *err) {
    ScanReader *self;
    TRY_ALLOC(self, ARENA_NEW(arena, ScanReader), err);
    self->stream = stream;
    call_frame_init(&self->frame, stream->source, stream->token, stream->deadline_ns);
    self->frame.warn = stream->warn;
    self->frame.warn_context = stream->warn_context;
    self->frame.base.transaction = source_tx_handle(stream->transaction);
    pthread_mutex_lock(&stream->lock);
    self->next = stream->readers;
    stream->readers = self;
    pthread_mutex_unlock(&stream->lock);
    *out = self;
    return TRIB_OK;
}

static void reader_scan_end(ScanReader *self) {
    if (!self->scan) return;
    pthread_mutex_lock(&self->stream->lock);
    stream_count(self->stream, self->scan, &self->seen);
    pthread_mutex_unlock(&self->stream->lock);
    self->stream->source->connector->scan_release(self->scan);
    self->scan = NULL;
    if (self->schema) shared_schema_release(self->schema);
    self->schema = NULL;
}

void scan_reader_free(ScanReader *self) {
    if (!self) return;
    ScanStream *stream = self->stream;
    reader_scan_end(self);
    pthread_mutex_lock(&stream->lock);
    ScanReader **place = &stream->readers;
    while (*place && *place != self) place = &(*place)->next;
    if (*place) *place = self->next;
    pthread_mutex_unlock(&stream->lock);
}

/* Reader and I/O threads count rows here; true once the limit is reached. */
static bool stream_enough(const ScanStream *self) {
    return self->limit >= 0 && atomic_load(&self->rows_pushed) >= (uint64_t)self->limit;
}

/* ---- connectors that never block: the reader scans */

static Status reader_split(ScanReader *self, const TribSplit **split, Error *err) {
    ScanStream *stream = self->stream;
    Status status = TRIB_OK;
    *split = NULL;
    pthread_mutex_lock(&stream->lock);
    if (!stream_filter(stream, true)) {
        *err = stream->error;
        status = err->status;
    }
    while (status == TRIB_OK && !stream->splits_known) {
        /* The call does not wait, so that others may wait for it. */
        if (stream->started) {
            (void)pthread_cond_wait(&stream->space, &stream->lock);
            continue;
        }
        stream->started = true;
        pthread_mutex_unlock(&stream->lock);
        status = stream_splits(stream, &self->frame.base, stream->token, err);
        pthread_mutex_lock(&stream->lock);
        stream->started = status == TRIB_OK;
        pthread_cond_broadcast(&stream->space);
    }
    if (status == TRIB_OK && !stream->stopped && stream->next_split < stream->nsplits)
        *split = stream->splits[stream->next_split++];
    pthread_mutex_unlock(&stream->lock);
    return status;
}

static Status reader_scan_begin(ScanReader *self, const TribSplit *split, Error *err) {
    ScanStream *stream = self->stream;
    TribScanRequest request = {.size = sizeof request,
                               .plan = stream->plan->plan,
                               .split = split,
                               .filter = stream->filtered ? &stream->filter : NULL,
                               .nparams = stream->nparams,
                               .params = stream->params,
                               .transaction = source_tx_handle(stream->transaction),
                               .for_update = stream->for_update,
                               .batch_rows = BATCH_ROWS,
                               .batch_bytes = BATCH_BYTES};
    struct ArrowSchema schema = {0};
    error_clear(err);
    Status status = stream->source->connector->scan_open(stream->source->catalog, &self->frame.base,
                                                         &request, &self->scan, &schema, err);
    if (status != TRIB_OK) {
        self->scan = NULL;
        return source_fault(stream->source, stream->token, status, err);
    }
    self->seen = (TribStats){.size = sizeof self->seen};
    if (!schema.release) return TRIB_OK;
    self->schema = heap_alloc(sizeof *self->schema);
    if (!self->schema) {
        schema.release(&schema);
        reader_scan_end(self);
        return error_out_of_memory(err);
    }
    atomic_init(&self->schema->references, 1);
    self->schema->schema = schema;
    return TRIB_OK;
}

/* The longest value that is not NULL. */
static uint32_t longest_value(const Vector *column, uint32_t count, uint64_t limit) {
    const StrView *views = column->data;
    uint32_t longest = 0;
    for (uint32_t i = 0; i < count; i++) longest = views[i].len > longest ? views[i].len : longest;
    if (longest <= limit || !column->validity) return longest;
    longest = 0; /* places of NULL may hold anything */
    for (uint32_t i = 0; i < count; i++) {
        if (views[i].len > longest && bitmap_get(column->validity, i)) longest = views[i].len;
    }
    return longest;
}

/* MaxValueSize, of what sources deliver. */
static Status values_check(const ScanStream *self, Batch *batch, Error *err) {
    for (uint32_t c = 0; self->max_value && c < batch->ncolumns; c++) {
        const Vector *column = &batch->columns[c];
        if (column->physical != PHYS_STRING || column->form != VECTOR_FLAT) continue;
        uint32_t longest = longest_value(column, batch->count, self->max_value);
        if (longest <= self->max_value) continue;
        (void)error_set(err, ERR_LIMIT,
                        "a value of %u bytes (column %u of the scan) is longer than MaxValueSize, "
                        "%llu bytes",
                        longest, c + 1, (unsigned long long)self->max_value);
        (void)error_hint(err, "SET SESSION max_value_size = '...' raises it");
        batch_clear(batch);
        return err->status;
    }
    return TRIB_OK;
}

static Status reader_scan_next(ScanReader *self, Batch *out, StreamStep *step, Error *err) {
    ScanStream *stream = self->stream;
    const TribConnector *connector = stream->source->connector;
    TRY(cancel_check(stream->token, err));
    for (;;) {
        *step = STREAM_END;
        if (!self->scan) {
            const TribSplit *split;
            if (stream_enough(stream)) return TRIB_OK;
            TRY(reader_split(self, &split, err));
            if (!split) return TRIB_OK;
            TRY(reader_scan_begin(self, split, err));
        }
        TribBatch batch = {0};
        error_clear(err);
        Status status = connector->scan_next(self->scan, BATCH_ROWS, &batch, err);
        if (status != TRIB_OK) {
            reader_scan_end(self);
            return source_fault(stream->source, stream->token, status, err);
        }
        if (!batch.array.release) {
            reader_scan_end(self);
            continue;
        }
        status =
            arrow_import_from(&batch, self->schema ? &self->schema->schema : NULL, stream->ncolumns,
                              stream->types, (connector->flags & TRIB_VALID_TEXT) != 0, out, err);
        if (status == TRIB_OK) status = values_check(stream, out, err);
        if (status != TRIB_OK) return source_fault(stream->source, NULL, status, err);
        if (out->selected == 0) {
            batch_clear(out);
            continue;
        }
        atomic_fetch_add_explicit(&stream->rows_pushed, out->selected, memory_order_relaxed);
        *step = STREAM_BATCH;
        return TRIB_OK;
    }
}

/* ---- the others: the reader takes blocks out of the queue */

/* Under the lock: have all splits been read to their end? */
static bool stream_finished(ScanStream *self) {
    if (self->stopped || self->enough) return true;
    if (!self->started || self->nlive > 0) return false;
    if (self->splits_known && self->splits_done == self->nsplits) return true;
    /* Never silently short: threads that are gone must have read everything or said why not. */
    Error err;
    (void)error_set(&err, ERR_GENERAL, "a scan ended before all of its rows were read");
    (void)error_source(&err, source_name(self->source));
    stream_fail(self, &err);
    return false;
}

static Status queue_step(ScanReader *self, const Waker *waker, Block *block, StreamStep *step,
                         Error *err) {
    ScanStream *stream = self->stream;
    if (stream->failed) {
        *err = stream->error;
        return err->status;
    }
    if (stream->queue_count > 0) {
        *block = queue_take(stream);
        atomic_store(&stream->stalled_since, 0);
        pthread_cond_broadcast(&stream->space);
        *step = STREAM_BATCH;
        return TRIB_OK;
    }
    if (stream_finished(stream)) {
        *step = STREAM_END;
        return TRIB_OK;
    }
    stream_begin(stream, true, true);
    if (stream->failed) {
        *err = stream->error;
        return err->status;
    }
    self->waker = waker ? *waker : (Waker){0};
    self->waiting = true;
    *step = STREAM_BLOCKED;
    return TRIB_OK;
}

static Status reader_queue_next(ScanReader *self, const Waker *waker, Batch *out, StreamStep *step,
                                Error *err) {
    ScanStream *stream = self->stream;
    atomic_store(&stream->required, true);
    TRY(cancel_check(stream->token, err));
    for (;;) {
        Block block;
        pthread_mutex_lock(&stream->lock);
        self->waiting = false;
        Status status = queue_step(self, waker, &block, step, err);
        bool stale =
            status == TRIB_OK && *step == STREAM_BATCH && block.generation != stream->generation;
        pthread_mutex_unlock(&stream->lock);
        if (status != TRIB_OK || *step != STREAM_BATCH) return status;
        if (stale) {
            block_release(&block);
            continue;
        }
        permit_progress(stream->source);
        status =
            arrow_import_from(&block.batch, block.schema, stream->ncolumns, stream->types,
                              (stream->source->connector->flags & TRIB_VALID_TEXT) != 0, out, err);
        block_release(&block);
        if (status == TRIB_OK) status = values_check(stream, out, err);
        if (status != TRIB_OK) {
            status = source_fault(stream->source, NULL, status, err);
            pthread_mutex_lock(&stream->lock);
            stream_fail(stream, err);
            uint32_t generation = stream->generation;
            pthread_mutex_unlock(&stream->lock);
            stream_cancel_threads(stream, generation + 1, CANCEL_CLOSED);
            return status;
        }
        if (out->selected > 0) return TRIB_OK;
        batch_clear(out);
    }
}

Status scan_reader_next(ScanReader *self, const Waker *waker, Batch *out, StreamStep *step,
                        Error *err) {
    batch_clear(out);
    if (source_nonblocking(self->stream->source)) return reader_scan_next(self, out, step, err);
    return reader_queue_next(self, waker, out, step, err);
}
