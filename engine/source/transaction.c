/*
 * transaction.c - transactions of one source: begin, end, marks, and whose turn it is.
 *
 * A transaction lives on one connection, whose permit it holds from its beginning to its end. What uses it
 * (a scan, a writer, a look at the metadata) takes its turn: the connection answers one question at a time.
 * Connectors that never block need no turns. The lock is held for moments only; waiting looks at the token.
 */
#include "engine/source/internal.h"

struct SourceTx {
    _Atomic uint32_t
        references; /* the session's, and of streams whose threads may outlive a statement */
    Source *source;
    TribTx *tx;
    bool held; /* a permit */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool busy, ended; /* guarded by the lock */
};

bool source_has_transactions(const Source *self) {
    return self->connector->tx_begin && self->connector->tx_end;
}

SourceTx *source_call_tx(const Source *self, const SourceCall *call) {
    SourceTx *tx = call->transaction;
    return tx && tx->source == self ? tx : NULL;
}

Source *source_tx_source(const SourceTx *self) {
    return self->source;
}

TribTx *source_tx_handle(const SourceTx *self) {
    return self ? self->tx : NULL;
}

/* ---------------------------------------------------------------- turns */

static void tx_cancelled(void *context) {
    SourceTx *self = context;
    pthread_mutex_lock(&self->lock);
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* Under the lock. */
static Status turn_wait(SourceTx *self, CancelToken *token, Error *err) {
    while (self->busy) {
        if (token) TRY(cancel_check(token, err));
        int64_t until = token ? cancel_deadline(token) : INT64_MAX;
        if (until == INT64_MAX) {
            pthread_cond_wait(&self->changed, &self->lock);
            continue;
        }
        struct timespec at = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
        (void)pthread_cond_timedwait(&self->changed, &self->lock, &at);
    }
    if (self->ended) return error_set(err, ERR_TRANSACTION_STATE, "the transaction has ended");
    self->busy = true;
    return TRIB_OK;
}

Status source_tx_enter(SourceTx *self, CancelToken *token, Error *err) {
    if (!self || source_nonblocking(self->source)) return TRIB_OK;
    void *handle = token ? cancel_on(token, tx_cancelled, self) : NULL;
    pthread_mutex_lock(&self->lock);
    Status status = turn_wait(self, token, err);
    pthread_mutex_unlock(&self->lock);
    if (handle) cancel_off(token, handle);
    return status;
}

void source_tx_leave(SourceTx *self) {
    if (!self || source_nonblocking(self->source)) return;
    pthread_mutex_lock(&self->lock);
    self->busy = false;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

/* ---------------------------------------------------------------- life */

void source_tx_retain(SourceTx *self) {
    if (self) atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void source_tx_release(SourceTx *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    if (self->held) permit_release(self->source);
    source_release(self->source);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    heap_free(self);
}

static Status tx_new(Source *source, SourceTx **out, Error *err) {
    SourceTx *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    atomic_init(&self->references, 1);
    source_retain(source);
    self->source = source;
    *out = self;
    return TRIB_OK;
}

/* The weakest level of the source that is as strong as the wanted one; 0: it has none. */
static TribIsolation level_of(const TribConnector *connector, TribIsolation wanted) {
    if (!wanted) return connector->default_isolation;
    for (uint32_t level = wanted; level <= TRIB_SERIALIZABLE; level *= 2) {
        if (connector->isolations & level) return (TribIsolation)level;
    }
    return 0;
}

static Status tx_start(SourceTx *self, const SourceCall *call, const TribTxRequest *request,
                       Error *err) {
    Source *source = self->source;
    TRY(source_call_permit(source, call, &self->held, err));
    Status status = source_request_begin(source, call->cancel, err);
    if (status == TRIB_OK) {
        CallFrame frame;
        source_call_frame(&frame, source, call);
        error_clear(err);
        status = source->connector->tx_begin(source->catalog, &frame.base, request, &self->tx, err);
        source_request_end(source, status, 1);
    }
    return source_fault(source, call->cancel, status, err);
}

Status source_tx_begin(Source *source, const SourceCall *call, TribIsolation isolation,
                       bool read_only, SourceTx **out, Error *err) {
    *out = NULL;
    if (!source_has_transactions(source)) {
        (void)error_set(err, ERR_UNSUPPORTED,
                        "catalogs of type %s cannot take part in transactions",
                        source->connector->type);
        return error_source(err, source->name);
    }
    TribTxRequest request = {.size = sizeof request,
                             .isolation = level_of(source->connector, isolation),
                             .read_only = read_only};
    if (isolation && !request.isolation) {
        (void)error_set(err, ERR_UNSUPPORTED,
                        "catalogs of type %s do not have this isolation level",
                        source->connector->type);
        return error_source(err, source->name);
    }
    SourceTx *self;
    TRY(tx_new(source, &self, err));
    Status status = tx_start(self, call, &request, err);
    if (status == TRIB_OK)
        *out = self;
    else
        source_tx_release(self);
    return status;
}

Status source_tx_mark(SourceTx *self, const SourceCall *call, TribMark mark, Error *err) {
    Source *source = self->source;
    if (!source->connector->tx_mark) return TRIB_OK;
    TRY(source_tx_enter(self, call->cancel, err));
    CallFrame frame;
    source_call_frame(&frame, source, call);
    error_clear(err);
    Status status = source->connector->tx_mark(self->tx, &frame.base, mark, err);
    source_tx_leave(self);
    return source_fault(source, NULL, status, err);
}

Status source_tx_end(SourceTx *self, const SourceCall *call, bool commit, Error *err) {
    Source *source = self->source;
    Error late;
    /* A cancelled commit takes everything back; a rollback waits for its turn in any case. */
    Status turn = source_tx_enter(self, commit ? call->cancel : NULL, &late);
    if (turn != TRIB_OK) {
        commit = false;
        Error ignored;
        if (source_tx_enter(self, NULL, &ignored) != TRIB_OK) error_clear(&ignored);
    }
    CallFrame frame;
    source_call_frame(&frame, source, call);
    error_clear(err);
    Status status = source->connector->tx_end(self->tx, &frame.base, commit, err);
    status = source_fault(source, NULL, status, err);
    pthread_mutex_lock(&self->lock);
    self->tx = NULL;
    self->ended = true;
    self->busy = false;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (self->held) permit_release(source);
    self->held = false;
    source_tx_release(self);
    if (turn == TRIB_OK) return status;
    *err = late;
    return turn;
}
