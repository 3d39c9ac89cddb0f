/*
 * stream_io.c - the I/O threads of a scan: one reads one split at a time into the queue.
 *
 * The first thread asks for the splits; others join while splits are left and permits are spare, and
 * leave after a split when another scan waits for a permit. A split that fails before one of its rows
 * went into the queue is tried again with back-off; after that the scan fails. A thread waits in four
 * places: for its permit, in the connector, in back-off pauses, and for room in the queue; all four end
 * with its token, which the statement's cancellation, scan_stream_stop and preemption set.
 *
 * A thread belongs to a generation of its stream. When prefetching is given up the generation counts
 * up: what older threads still bring is thrown away, and they end.
 */
#include "engine/source/internal.h"

#define BLOCKS_PER_THREAD 3
#define LOOK_AGAIN_NS     INT64_C(5000000000)

void shared_schema_release(SharedSchema *self) {
    if (atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    if (self->schema.release) self->schema.release(&self->schema);
    heap_free(self);
}

/* ---------------------------------------------------------------- ending threads */

/* Interrupts what the thread does. Without the stream's lock. */
static void thread_interrupt(IoThread *thread, CancelReason reason) {
    cancel_set(thread->token, reason == CANCEL_NONE ? CANCEL_CLOSED : reason);
    pthread_mutex_lock(&thread->scan_lock);
    if (thread->scan) thread->stream->source->connector->scan_cancel(thread->scan);
    pthread_mutex_unlock(&thread->scan_lock);
}

void stream_cancel_threads(ScanStream *self, uint32_t generation, CancelReason reason) {
    for (;;) {
        pthread_mutex_lock(&self->lock);
        IoThread *thread = self->live;
        while (thread && (thread->cancelled || thread->generation >= generation))
            thread = thread->next;
        if (!thread) {
            pthread_mutex_unlock(&self->lock);
            return;
        }
        thread->cancelled = true;
        thread->references++;
        pthread_mutex_unlock(&self->lock);
        thread_interrupt(thread, reason);
        pthread_mutex_lock(&self->lock);
        thread->references--;
        pthread_cond_broadcast(&self->ended);
        pthread_mutex_unlock(&self->lock);
    }
}

/* Under the lock: must the thread end? */
static bool thread_obsolete(const IoThread *thread) {
    const ScanStream *self = thread->stream;
    return thread->generation != self->generation || self->stopped || self->failed || self->enough;
}

bool stream_preempt(ScanStream *self) {
    pthread_mutex_lock(&self->lock);
    if (atomic_load(&self->required) || !self->started || self->stopped || self->nlive == 0) {
        pthread_mutex_unlock(&self->lock);
        return false;
    }
    uint32_t generation = ++self->generation;
    self->started = false;
    self->nlive = 0;
    self->next_split = 0;
    self->splits_done = 0;
    atomic_store(&self->rows_pushed, 0);
    self->enough = false;
    pthread_cond_broadcast(&self->space);
    pthread_mutex_unlock(&self->lock);
    stream_cancel_threads(self, generation, CANCEL_CLOSED);
    stream_drop_queue(self, false);
    return true;
}

/* ---------------------------------------------------------------- the queue */

/* Under the lock. At least one block is always let in: a scan needs that much to move at all. */
static bool queue_admits(ScanStream *self, uint64_t bytes) {
    uint32_t most = BLOCKS_PER_THREAD * (self->nlive ? self->nlive : 1);
    if (most > self->queue_capacity) most = self->queue_capacity;
    if (self->queue_count >= most) return false;
    if (!self->granted) return true;
    if (self->queue_count == 0) {
        grant_force(&self->grant, (int64_t)bytes);
        return true;
    }
    return grant_try(&self->grant, (int64_t)bytes);
}

/* Under the lock: waits for a change, at most until the deadline or until the stall is to be told. */
static void queue_wait(IoThread *thread, int64_t since) {
    ScanStream *self = thread->stream;
    int64_t now = os_now_ns(), until = now + LOOK_AGAIN_NS;
    if (since && self->stall_ns && !self->stall_told && since + self->stall_ns < until)
        until = since + self->stall_ns;
    int64_t deadline = cancel_deadline(thread->token);
    if (deadline < until) until = deadline;
    if (until <= now) until = now + 1000000;
    struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    (void)pthread_cond_timedwait(&self->space, &self->lock, &at);
}

/* Under the lock: the consumer has not taken anything for a while. */
static void stall_notice(ScanStream *self) {
    int64_t since = atomic_load(&self->stalled_since), now = os_now_ns();
    if (since == 0) {
        atomic_store(&self->stalled_since, now);
        return;
    }
    if (self->stall_told || self->stall_ns == 0 || now - since < self->stall_ns) return;
    if (self->stalled && self->stalled(self->stalled_context)) {
        self->stall_told = true;
    } else {
        atomic_store(&self->stalled_since, now);
    }
}

/* Hands a batch over; it is released if the thread must end. false: the thread is to end. */
static bool queue_push(IoThread *thread, TribBatch *batch, SharedSchema *schema, uint64_t rows) {
    ScanStream *self = thread->stream;
    uint64_t bytes = schema ? 0 : arrow_bytes(&batch->array, self->ncolumns, self->types);
    pthread_mutex_lock(&self->lock);
    while (!thread_obsolete(thread) && cancel_reason(thread->token) == CANCEL_NONE &&
           !queue_admits(self, bytes)) {
        stall_notice(self);
        queue_wait(thread, atomic_load(&self->stalled_since));
    }
    bool obsolete = thread_obsolete(thread) || cancel_reason(thread->token) != CANCEL_NONE;
    if (!obsolete) {
        Block *block = &self->queue[(self->queue_first + self->queue_count) % self->queue_capacity];
        *block = (Block){.batch = *batch, .bytes = bytes, .generation = self->generation};
        if (schema) {
            atomic_fetch_add_explicit(&schema->references, 1, memory_order_relaxed);
            block->schema = &schema->schema;
        }
        self->queue_count++;
        self->counters.rows += rows;
        uint64_t all = atomic_fetch_add(&self->rows_pushed, rows) + rows;
        if (self->limit >= 0 && all >= (uint64_t)self->limit) self->enough = true;
        stream_wake_readers(self);
    }
    bool go_on = !obsolete && !self->enough;
    pthread_mutex_unlock(&self->lock);
    if (obsolete) batch->array.release(&batch->array);
    return go_on;
}

/* ---------------------------------------------------------------- one split */

static Status split_open(IoThread *thread, const TribSplit *split, SharedSchema **schema,
                         Error *err) {
    ScanStream *self = thread->stream;
    /* An older thread may still be opening a split when its stream begins again, with the filter. */
    pthread_mutex_lock(&self->lock);
    bool filtered = self->filtered && thread->generation == self->generation;
    pthread_mutex_unlock(&self->lock);
    TribScanRequest request = {.size = sizeof request,
                               .plan = self->plan->plan,
                               .split = split,
                               .filter = filtered ? &self->filter : NULL,
                               .nparams = self->nparams,
                               .params = self->params,
                               .transaction = source_tx_handle(self->transaction),
                               .for_update = self->for_update,
                               .batch_rows = BATCH_ROWS,
                               .batch_bytes = BATCH_BYTES};
    struct ArrowSchema described = {0};
    TribScan *scan = NULL;
    TRY(source_request_begin(self->source, thread->token, err));
    error_clear(err);
    TRY(self->source->connector->scan_open(self->source->catalog, &thread->frame.base, &request,
                                           &scan, &described, err));
    *schema = NULL;
    if (described.release) {
        *schema = heap_alloc(sizeof **schema);
        if (!*schema) {
            described.release(&described);
            self->source->connector->scan_release(scan);
            return error_out_of_memory(err);
        }
        atomic_init(&(*schema)->references, 1);
        (*schema)->schema = described;
    }
    pthread_mutex_lock(&thread->scan_lock);
    thread->scan = scan;
    /* Interrupted between the opening and now: nobody will call scan_cancel any more. */
    if (cancel_reason(thread->token) != CANCEL_NONE) self->source->connector->scan_cancel(scan);
    pthread_mutex_unlock(&thread->scan_lock);
    return TRIB_OK;
}

static void split_close(IoThread *thread, SharedSchema *schema) {
    pthread_mutex_lock(&thread->scan_lock);
    TribScan *scan = thread->scan;
    thread->scan = NULL;
    pthread_mutex_unlock(&thread->scan_lock);
    if (scan) thread->stream->source->connector->scan_release(scan);
    if (schema) shared_schema_release(schema);
}

/* Reads the scan to its end. *any: rows were handed on. *over: the thread is to end. */
static Status split_read(IoThread *thread, SharedSchema *schema, bool *any, bool *over,
                         Error *err) {
    ScanStream *self = thread->stream;
    const TribConnector *connector = self->source->connector;
    TribStats seen = {.size = sizeof seen};
    bool paid = false;
    for (;;) {
        TribBatch batch = {0};
        error_clear(err);
        int64_t begun = os_now_ns();
        Status status = connector->scan_next(thread->scan, BATCH_ROWS, &batch, err);
        uint64_t requests = seen.requests;
        pthread_mutex_lock(&self->lock);
        stream_count(self, thread->scan, &seen);
        if (seen.wait_ns == 0) self->counters.wait_ns += os_now_ns() - begun;
        pthread_mutex_unlock(&self->lock);
        requests = seen.requests - requests;
        if (status != TRIB_OK || requests > 0) {
            /* The request that opened the scan was paid for when it was made. */
            source_request_end(self->source, status, requests + 1 - (requests && !paid));
            paid = paid || requests;
        }
        if (status != TRIB_OK) return status;
        if (!batch.array.release) return TRIB_OK;
        uint64_t rows = batch.selection ? batch.selected : (uint64_t)batch.array.length;
        if (rows == 0) {
            batch.array.release(&batch.array);
            continue;
        }
        *any = true;
        if (!queue_push(thread, &batch, schema, rows)) {
            *over = true;
            return TRIB_OK;
        }
    }
}

/* One split, with up to three attempts. */
static Status split_run(IoThread *thread, const TribSplit *split, bool *over, Error *err) {
    ScanStream *self = thread->stream;
    for (uint32_t attempt = 0;; attempt++) {
        bool any = false;
        SharedSchema *schema = NULL;
        Status status = split_open(thread, split, &schema, err);
        if (status == TRIB_OK) {
            status = split_read(thread, schema, &any, over, err);
            split_close(thread, schema);
        } else {
            source_request_end(self->source, status, 0);
        }
        if (status == TRIB_OK) return TRIB_OK;
        err->status = status;
        if (any || !source_retry(self->source, thread->token, attempt, err))
            return source_fault(self->source, thread->token, status, err);
        pthread_mutex_lock(&self->lock);
        self->counters.retries++;
        pthread_mutex_unlock(&self->lock);
    }
}

/* ---------------------------------------------------------------- threads */

static void *thread_main(void *context);

/* Under the lock. The thread owns what is made here from the moment it runs. */
static Status thread_start(ScanStream *self, bool has_permit, Error *err) {
    IoThread *thread;
    TRY_ALLOC(thread, heap_alloc(sizeof *thread), err);
    thread->token = cancel_new();
    if (!thread->token) {
        heap_free(thread);
        return error_out_of_memory(err);
    }
    if (self->deadline_ns != INT64_MAX) cancel_set_deadline(thread->token, self->deadline_ns);
    thread->stream = self;
    thread->generation = self->generation;
    thread->has_permit = has_permit;
    pthread_mutex_init(&thread->scan_lock, NULL);
    call_frame_init(&thread->frame, self->source, thread->token, self->deadline_ns);
    thread->frame.warn = self->warn;
    thread->frame.warn_context = self->warn_context;
    thread->frame.guard = &self->lock;
    stream_retain(self);
    pthread_t id;
    Status status = os_thread_start(&id, "trib-io", thread_main, thread, err);
    if (status != TRIB_OK) {
        atomic_fetch_sub(&self->references, 1); /* never the last: the caller holds one */
        pthread_mutex_destroy(&thread->scan_lock);
        cancel_release(thread->token);
        heap_free(thread);
        return status;
    }
    pthread_detach(id);
    atomic_fetch_add(&io_threads_live, 1);
    thread->next = self->live;
    self->live = thread;
    self->nlive++;
    if (self->nlive > self->counters.connections) self->counters.connections = self->nlive;
    return TRIB_OK;
}

/* Charges what the client library holds per scan. Under the lock. */
static bool reserve_library(ScanStream *self, bool must) {
    int64_t bytes = (int64_t)self->source->connector->library_reserve;
    if (!self->granted || bytes == 0) return true;
    if (must) grant_force(&self->grant, bytes);
    return must || grant_try(&self->grant, bytes);
}

static void return_library(ScanStream *self) {
    if (self->granted)
        grant_shrink(&self->grant, (int64_t)self->source->connector->library_reserve);
}

void stream_launch(ScanStream *self, bool required) {
    /* Inside a transaction its connection serves: it holds the permit. */
    bool permitted = !self->transaction && permit_try(self->source);
    if (!permitted && !required && !self->transaction) return;
    Error err;
    (void)reserve_library(self, true);
    Status status = thread_start(self, permitted, &err);
    if (status == TRIB_OK) {
        self->started = true;
        return;
    }
    return_library(self);
    if (permitted) permit_release(self->source);
    stream_fail(self, &err);
}

/* More threads, as long as splits are left for them and nobody else wants the connections. */
static void stream_expand(IoThread *thread) {
    ScanStream *self = thread->stream;
    for (;;) {
        pthread_mutex_lock(&self->lock);
        bool more = !thread_obsolete(thread) && self->nlive < self->threads_max &&
                    self->next_split < self->nsplits;
        pthread_mutex_unlock(&self->lock);
        if (!more || !permit_try(self->source)) return;
        Error err;
        pthread_mutex_lock(&self->lock);
        bool started = !thread_obsolete(thread) && self->next_split < self->nsplits &&
                       reserve_library(self, false);
        if (started && thread_start(self, true, &err) != TRIB_OK) {
            /* One thread less is no failure. */
            return_library(self);
            started = false;
        }
        pthread_mutex_unlock(&self->lock);
        if (!started) {
            permit_release(self->source);
            return;
        }
    }
}

/* The next split for this thread; NULL: it is to end. */
static const TribSplit *thread_split(IoThread *thread, bool first) {
    ScanStream *self = thread->stream;
    bool wanted = !first && permit_wanted(self->source);
    const TribSplit *split = NULL;
    pthread_mutex_lock(&self->lock);
    if (wanted && self->nlive > 1) {
        /* Somebody waits for a connection, and this scan has others. */
        thread->left = true;
        self->nlive--;
    } else if (!thread_obsolete(thread) && self->next_split < self->nsplits) {
        split = self->splits[self->next_split++];
    }
    pthread_mutex_unlock(&self->lock);
    return split;
}

static void split_done(IoThread *thread) {
    ScanStream *self = thread->stream;
    pthread_mutex_lock(&self->lock);
    if (thread->generation == self->generation) self->splits_done++;
    pthread_mutex_unlock(&self->lock);
}

/* A thread that stopped in the middle of a split: because nobody wants the rows, or with an error. */
static Status thread_over(IoThread *thread, Error *err) {
    ScanStream *self = thread->stream;
    pthread_mutex_lock(&self->lock);
    bool obsolete = thread_obsolete(thread);
    pthread_mutex_unlock(&self->lock);
    return obsolete ? TRIB_OK : cancel_check(thread->token, err);
}

static Status thread_work(IoThread *thread, Error *err) {
    ScanStream *self = thread->stream;
    bool permitted = thread->has_permit;
    if (!permitted && !self->transaction) {
        TRY(permit_wait(self->source, thread->token, self->owner, err));
        permitted = true;
    }
    if (self->transaction) {
        TRY(source_tx_enter(self->transaction, thread->token, err));
        thread->has_turn = true;
        thread->frame.base.transaction = source_tx_handle(self->transaction);
    }
    pthread_mutex_lock(&self->lock);
    thread->has_permit = permitted;
    bool known = self->splits_known;
    pthread_mutex_unlock(&self->lock);
    if (!known) TRY(stream_splits(self, &thread->frame.base, thread->token, err));
    bool over = false;
    for (bool first = true; !over; first = false) {
        const TribSplit *split = thread_split(thread, first);
        if (!split) return TRIB_OK;
        stream_expand(thread);
        TRY(split_run(thread, split, &over, err));
        if (!over) split_done(thread);
    }
    return thread_over(thread, err);
}

/* Leaves the stream. Whoever interrupts the thread at this moment is waited for. */
static void thread_leave(IoThread *thread, Status status, const Error *err) {
    ScanStream *self = thread->stream;
    pthread_mutex_lock(&self->lock);
    bool obsolete = thread_obsolete(thread);
    if (status != TRIB_OK && !obsolete) {
        /* The statement's own cancellation is told by the statement; a split that was not read to its
         * end must never look like the end of the rows. */
        stream_fail(self, err);
    }
    bool enough = self->enough || self->failed;
    uint32_t generation = self->generation;
    pthread_mutex_unlock(&self->lock);
    if (enough) stream_cancel_threads(self, generation + 1, CANCEL_CLOSED);

    pthread_mutex_lock(&self->lock);
    while (thread->references > 0) (void)pthread_cond_wait(&self->ended, &self->lock);
    IoThread **place = &self->live;
    while (*place != thread) place = &(*place)->next;
    *place = thread->next;
    if (thread->generation == self->generation && !thread->left) self->nlive--;
    return_library(self);
    pthread_cond_broadcast(&self->ended);
    pthread_cond_broadcast(&self->space);
    stream_wake_readers(self);
    pthread_mutex_unlock(&self->lock);
}

static void *thread_main(void *context) {
    IoThread *thread = context;
    ScanStream *self = thread->stream;
    Error err;
    error_clear(&err);
    Status status = thread_work(thread, &err);
    if (thread->has_turn) source_tx_leave(self->transaction);
    if (thread->has_permit) permit_release(self->source);
    thread_leave(thread, status, &err);
    pthread_mutex_destroy(&thread->scan_lock);
    cancel_release(thread->token);
    heap_free(thread);
    stream_unref(self);
    atomic_fetch_sub(&io_threads_live, 1);
    return NULL;
}
