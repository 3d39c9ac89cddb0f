/*
 * source.c - opened catalogs: sharing, metadata calls, plans, writing.
 *
 * Sources are kept in a process-wide list by fingerprint, so that sessions with equal configurations
 * share connections, permits and rate caps; the last reference closes one. A forked child does not see
 * its parent's sources: the list is begun anew there.
 *
 * Every call into a connector starts with the source's rate cap and back-off, gets a TribCall over the
 * statement's cancellation token, and is repeated up to three times if the connector says that this
 * may help and nothing was handed on yet.
 */
#include <stdlib.h>

#include "engine/source/internal.h"

#define ATTEMPTS         3
#define FIRST_DELAY_NS   INT64_C(10000000)
#define LONGEST_DELAY_NS INT64_C(1000000000)

static struct {
    pthread_mutex_t lock;
    _Atomic uint32_t stamp;
    Source *sources;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* In a forked child the lock may be held by a thread that does not exist, and the sources' sockets
 * belong to the parent: both are forgotten before anything else happens. */
static void registry_enter(void) {
    if (os_lock_forked(&registry.lock, &registry.stamp)) registry.sources = NULL;
}

static void registry_leave(void) {
    pthread_mutex_unlock(&registry.lock);
}

/* ---------------------------------------------------------------- life */

static void source_destroy(Source *self) {
    if (self->catalog) self->connector->close(self->catalog);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    heap_free(self);
}

/* A source without its catalog. */
static Status source_allocate(const SourceParams *params, Source **out, Error *err) {
    size_t name = strlen(params->name) + 1;
    Source *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self + name + params->fingerprint.len + 1), err);
    atomic_init(&self->references, 1);
    self->stamp = os_pid_stamp();
    self->name = (char *)(self + 1);
    memcpy(self->name, params->name, name);
    char *fingerprint = self->name + name;
    if (params->fingerprint.len)
        memcpy(fingerprint, params->fingerprint.data, params->fingerprint.len);
    self->fingerprint = (Str){fingerprint, params->fingerprint.len};
    self->connector = params->connector;
    self->max_connections = params->max_connections ? params->max_connections : 4;
    self->rate = params->max_requests_per_second;
    self->tokens = 1;
    self->progress_ns = os_now_ns();
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = self;
    return TRIB_OK;
}

static Status source_new(const SourceParams *params, Source **out, Error *err) {
    Source *self;
    TRY(source_allocate(params, &self, err));
    error_clear(err);
    Status status = self->connector->open(source_host(), self->name, params->options,
                                          params->noptions, &self->catalog, err);
    if (status != TRIB_OK) {
        self->catalog = NULL;
        status = source_fault(self, NULL, status, err);
        source_destroy(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

Status source_wrap(const TribConnector *connector, const char *name, TribCatalog *catalog,
                   Source **out, Error *err) {
    SourceParams params = {.connector = connector, .name = name};
    Status status = source_allocate(&params, out, err);
    if (status != TRIB_OK) {
        connector->close(catalog);
        return status;
    }
    (*out)->catalog = catalog;
    return TRIB_OK;
}

Status source_open(const SourceParams *params, Source **out, Error *err) {
    Status status = TRIB_OK;
    registry_enter();
    Source *found = registry.sources;
    while (found && !str_equal(found->fingerprint, params->fingerprint)) found = found->next;
    if (found) {
        source_retain(found);
    } else {
        status = source_new(params, &found, err);
        if (status == TRIB_OK) {
            found->next = registry.sources;
            registry.sources = found;
        }
    }
    registry_leave();
    *out = status == TRIB_OK ? found : NULL;
    return status;
}

void source_retain(Source *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

/* The last reference goes under the registry's lock: nobody can find the source meanwhile. */
void source_release(Source *self) {
    if (!self) return;
    if (self->stamp != os_pid_stamp()) return; /* the parent's: its sockets are not ours to close */
    uint32_t now = atomic_load(&self->references);
    while (now > 1) {
        if (atomic_compare_exchange_weak(&self->references, &now, now - 1)) return;
    }
    registry_enter();
    bool last = atomic_fetch_sub(&self->references, 1) == 1;
    if (last) {
        Source **place = &registry.sources;
        while (*place && *place != self) place = &(*place)->next;
        if (*place) *place = self->next;
    }
    registry_leave();
    if (last) source_destroy(self);
}

const char *source_name(const Source *self) {
    return self->name;
}

const char *source_type(const Source *self) {
    return self->connector->type;
}

const TribConnector *source_connector(const Source *self) {
    return self->connector;
}

uint32_t source_max_connections(const Source *self) {
    return self->max_connections;
}

bool source_nonblocking(const Source *self) {
    return (self->connector->flags & TRIB_NONBLOCKING) != 0;
}

/* ---------------------------------------------------------------- exit */

#define EXIT_WAIT_NS INT64_C(200000000)
#define EXIT_STREAMS 64

_Atomic int32_t io_threads_live;

static uint32_t streams_collect(ScanStream **out) {
    uint32_t count = 0;
    for (Source *source = registry.sources; source; source = source->next) {
        if (pthread_mutex_trylock(&source->lock) != 0) continue;
        for (ScanStream *at = source->streams; at && count < EXIT_STREAMS; at = at->source_next) {
            stream_retain(at);
            out[count++] = at;
        }
        pthread_mutex_unlock(&source->lock);
    }
    return count;
}

/*
 * Client libraries tear their state down when the process exits; threads inside them must have left by
 * then. Those that cannot be interrupted are left to their fate after 200 ms. The locks of the
 * registry and of sources are not waited for: whoever exits may hold one.
 */
static void sources_at_exit(void) {
    if (atomic_load(&registry.stamp) != os_pid_stamp())
        return; /* a forked child has no such threads */
    ScanStream *streams[EXIT_STREAMS];
    if (pthread_mutex_trylock(&registry.lock) != 0) return;
    uint32_t count = streams_collect(streams);
    pthread_mutex_unlock(&registry.lock);
    for (uint32_t i = 0; i < count; i++)
        stream_cancel_threads(streams[i], UINT32_MAX, CANCEL_CLOSED);
    int64_t until = os_now_ns() + EXIT_WAIT_NS;
    while (atomic_load(&io_threads_live) > 0 && os_now_ns() < until) {
        struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

static void exit_watch(void) {
    (void)atexit(sources_at_exit);
}

/* With the first I/O thread, so that handlers of client libraries that are in use by then run later. */
void sources_watch_exit(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, exit_watch);
}

/* ---------------------------------------------------------------- politeness */

/* Sleeps; a cancellation or a passed deadline ends it with the error that fits. */
static Status polite_sleep(CancelToken *token, int64_t ns, Error *err) {
    if (token) {
        (void)cancel_sleep(token, ns);
        return cancel_check(token, err);
    }
    struct timespec pause = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    while (nanosleep(&pause, &pause) != 0) {
    }
    return TRIB_OK;
}

/* Half to one and a half of it, so that many clients do not come back at once. */
static int64_t jitter(int64_t ns) {
    uint32_t random = 0;
    if (!os_random(&random, sizeof random)) return ns;
    return ns / 2 + (int64_t)((double)ns * ((double)random / UINT32_MAX));
}

Status source_request_begin(Source *self, CancelToken *token, Error *err) {
    if (token) TRY(cancel_check(token, err));
    if (source_nonblocking(self)) return TRIB_OK;
    int64_t pause = 0;
    pthread_mutex_lock(&self->lock);
    if (self->delay_ns > 0) pause = jitter(self->delay_ns);
    if (self->rate > 0) {
        int64_t now = os_now_ns();
        double most =
            self->rate < 10 ? 1 : self->rate / 10; /* a tenth of a second may come at once */
        self->tokens += (double)(now - self->tokens_at) * 1e-9 * self->rate;
        if (self->tokens > most) self->tokens = most;
        self->tokens_at = now;
        self->tokens -= 1;
        int64_t wait = self->tokens < 0 ? (int64_t)(-self->tokens / self->rate * 1e9) : 0;
        if (wait > pause) pause = wait;
    }
    pthread_mutex_unlock(&self->lock);
    return pause > 0 ? polite_sleep(token, pause, err) : TRIB_OK;
}

void source_request_end(Source *self, Status status, uint64_t requests) {
    if (source_nonblocking(self)) return;
    pthread_mutex_lock(&self->lock);
    if (self->rate > 0 && requests > 1) self->tokens -= (double)(requests - 1);
    if (status == TRIB_THROTTLED) {
        self->delay_ns = self->delay_ns ? self->delay_ns * 2 : FIRST_DELAY_NS;
        if (self->delay_ns > LONGEST_DELAY_NS) self->delay_ns = LONGEST_DELAY_NS;
    } else if (status == TRIB_OK) {
        self->delay_ns = self->delay_ns > FIRST_DELAY_NS ? self->delay_ns - FIRST_DELAY_NS : 0;
    }
    pthread_mutex_unlock(&self->lock);
}

bool source_retry(Source *self, CancelToken *token, uint32_t attempt, const Error *err) {
    if (source_nonblocking(self) || attempt + 1 >= ATTEMPTS || !err->retryable) return false;
    if (err->status == TRIB_CANCELLED || err->status == TRIB_TIMEOUT) return false;
    Error ignored;
    if (token && cancel_check(token, &ignored) != TRIB_OK) return false;
    /* Throttling waits in source_request_begin already. */
    if (err->status == TRIB_THROTTLED) return true;
    return polite_sleep(token, jitter(FIRST_DELAY_NS << attempt), &ignored) == TRIB_OK;
}

Status source_fault(const Source *self, CancelToken *token, Status status, Error *err) {
    if (status == TRIB_OK) return TRIB_OK;
    if (token && cancel_reason(token) != CANCEL_NONE) {
        Error why;
        Status reason = cancel_check(token, &why);
        if (reason != TRIB_OK) {
            *err = why;
            return reason;
        }
    }
    if (err->message[0] == '\0')
        (void)error_set(err, ERR_SOURCE,
                        "the connector %s reported an error without a message (status %d)",
                        self->connector->type, (int)status);
    if (err->sqlstate[0] == '\0') memcpy(err->sqlstate, "HY000", 6);
    err->status = status;
    (void)error_source(err, self->name);
    return status;
}

/* ---------------------------------------------------------------- permits of calls */

/* A call outside of scans needs a connection like any other; `held`: it has one, to be given back. */
Status source_call_permit(Source *self, const SourceCall *call, bool *held, Error *err) {
    CancelToken *token = call->cancel;
    *held = false;
    if (source_call_tx(self, call)) return source_tx_enter(call->transaction, token, err);
    if (source_nonblocking(self)) return TRIB_OK;
    if (permit_try(self)) {
        *held = true;
        return TRIB_OK;
    }
    CancelToken *own = NULL;
    if (!token) TRY_ALLOC(own, cancel_new(), err);
    Status status = permit_wait(self, token ? token : own, call->owner, err);
    cancel_release(own);
    *held = status == TRIB_OK;
    return status;
}

static void call_permit_end(Source *self, const SourceCall *call, bool held) {
    if (held) permit_release(self);
    source_tx_leave(source_call_tx(self, call));
}

/* ---------------------------------------------------------------- metadata */

void source_call_frame(CallFrame *frame, const Source *self, const SourceCall *call) {
    call_frame_init(frame, self, call->cancel, source_call_deadline(call));
    frame->warn = call->warn;
    frame->warn_context = call->warn_context;
    frame->base.transaction = source_tx_handle(source_call_tx(self, call));
}

Status source_check(Source *self, const SourceCall *call, char *text, size_t size, Error *err) {
    CallFrame frame;
    Status status;
    uint32_t attempt = 0;
    bool held;
    source_call_frame(&frame, self, call);
    TRY(source_call_permit(self, call, &held, err));
    do {
        status = source_request_begin(self, call->cancel, err);
        if (status != TRIB_OK) break;
        error_clear(err);
        status = self->connector->check(self->catalog, &frame.base, text, size, err);
        source_request_end(self, status, 1);
    } while (status != TRIB_OK && source_retry(self, call->cancel, attempt++, err));
    call_permit_end(self, call, held);
    return source_fault(self, call->cancel, status, err);
}

/* Passes names on and remembers that there were some: from then on nothing may be asked again. */
typedef struct NamesGuard {
    TribNames *to;
    bool any;
} NamesGuard;

static bool guard_schema(void *context, const char *name) {
    NamesGuard *self = context;
    self->any = true;
    return self->to->schema(self->to->self, name);
}

static bool guard_table(void *context, const char *schema, const char *name, TribTableKind kind,
                        const char *comment) {
    NamesGuard *self = context;
    self->any = true;
    return self->to->table(self->to->self, schema, name, kind, comment);
}

static TribStatus guard_described(void *context, const TribTable *table, TribError *err) {
    NamesGuard *self = context;
    self->any = true;
    return self->to->described(self->to->self, table, err);
}

static bool guard_reference(void *context, const TribReference *reference) {
    NamesGuard *self = context;
    self->any = true;
    return self->to->reference(self->to->self, reference);
}

typedef enum {
    ASK_SCHEMAS,
    ASK_TABLES,
    ASK_TABLE,
    ASK_STATEMENT,
    ASK_REFERENCES,
    ASK_REFERENCES_IN
} Question;

static Status source_ask(Source *self, const SourceCall *call, Question question,
                         const char *schema, const char *table, TribNames *names, Error *err) {
    CallFrame frame;
    Status status;
    uint32_t attempt = 0;
    bool held;
    NamesGuard guard = {.to = names};
    TribNames asked = {.self = &guard,
                       .schema = guard_schema,
                       .table = guard_table,
                       .described = guard_described,
                       .reference = guard_reference};
    source_call_frame(&frame, self, call);
    TRY(source_call_permit(self, call, &held, err));
    do {
        status = source_request_begin(self, call->cancel, err);
        if (status != TRIB_OK) break;
        error_clear(err);
        if (question == ASK_SCHEMAS)
            status = self->connector->list_schemas(self->catalog, &frame.base, &asked, err);
        else if (question == ASK_TABLES)
            status = self->connector->list_tables(self->catalog, &frame.base, schema, &asked, err);
        else if (question == ASK_STATEMENT)
            status = self->connector->passthrough(self->catalog, &frame.base, table, &asked, err);
        else if (question == ASK_REFERENCES || question == ASK_REFERENCES_IN)
            status = self->connector->list_references(self->catalog, &frame.base, schema, table,
                                                      question == ASK_REFERENCES_IN, &asked, err);
        else
            status = self->connector->describe_table(self->catalog, &frame.base, schema, table,
                                                     &asked, err);
        source_request_end(self, status, 1);
    } while (status != TRIB_OK && !guard.any && source_retry(self, call->cancel, attempt++, err));
    call_permit_end(self, call, held);
    return source_fault(self, call->cancel, status, err);
}

Status source_list_schemas(Source *self, const SourceCall *call, TribNames *names, Error *err) {
    return source_ask(self, call, ASK_SCHEMAS, NULL, NULL, names, err);
}

Status source_list_tables(Source *self, const SourceCall *call, const char *schema,
                          TribNames *names, Error *err) {
    return source_ask(self, call, ASK_TABLES, schema, NULL, names, err);
}

Status source_describe(Source *self, const SourceCall *call, const char *schema, const char *table,
                       TribNames *names, Error *err) {
    return source_ask(self, call, ASK_TABLE, schema, table, names, err);
}

Status source_passthrough(Source *self, const SourceCall *call, const char *text, TribNames *names,
                          Error *err) {
    if (self->connector->passthrough)
        return source_ask(self, call, ASK_STATEMENT, NULL, text, names, err);
    (void)error_set(err, ERR_UNSUPPORTED, "catalogs of type %s take no statements of their own",
                    self->connector->type);
    return error_source(err, self->name);
}

Status source_references(Source *self, const SourceCall *call, const char *schema,
                         const char *table, bool incoming, TribNames *names, Error *err) {
    if (!self->connector->list_references) return TRIB_OK;
    return source_ask(self, call, incoming ? ASK_REFERENCES_IN : ASK_REFERENCES, schema, table,
                      names, err);
}

/* ---------------------------------------------------------------- plans */

Status source_plan(Source *self, const SourceCall *call, TribOffer *offer, SourcePlan **out,
                   Error *err) {
    CallFrame frame;
    TribPlan *answer = NULL;
    source_call_frame(&frame, self, call);
    bool held = false;
    if (offer->estimate) TRY(source_call_permit(self, call, &held, err));
    error_clear(err);
    Status status = self->connector->plan(self->catalog, &frame.base, offer, &answer, err);
    if (offer->estimate) call_permit_end(self, call, held);
    if (status != TRIB_OK) return source_fault(self, call->cancel, status, err);
    SourcePlan *plan = heap_alloc(sizeof *plan);
    if (!plan) {
        self->connector->plan_release(answer);
        return error_out_of_memory(err);
    }
    plan->plan = answer;
    atomic_init(&plan->references, 1);
    plan->source = self;
    source_retain(self);
    *out = plan;
    return TRIB_OK;
}

void source_plan_retain(SourcePlan *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void source_plan_release(SourcePlan *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    self->source->connector->plan_release(self->plan);
    source_release(self->source);
    heap_free(self);
}

Source *source_plan_source(const SourcePlan *self) {
    return self->source;
}

/* ---------------------------------------------------------------- writing */

static Status not_offered(const Source *self, const char *what, Error *err) {
    (void)error_set(err, ERR_UNSUPPORTED, "catalogs of type %s cannot %s", self->connector->type,
                    what);
    return error_source(err, self->name);
}

/* A writer outlives the call that opened it, and so must its TribCall and its permit: they are found again
 * by its address. */
typedef struct Tenure {
    struct Tenure *next;
    const TribWriter *of;
    CallFrame frame;
    SourceTx *transaction;
    bool held; /* a permit */
} Tenure;

static struct {
    pthread_mutex_t lock;
    _Atomic uint32_t stamp;
    Tenure *first;
} tenures = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void tenures_enter(void) {
    if (os_lock_forked(&tenures.lock, &tenures.stamp)) tenures.first = NULL;
}

static void tenure_remember(Tenure *tenure, const TribWriter *of) {
    tenure->of = of;
    if (tenure->frame.token) cancel_retain(tenure->frame.token);
    tenures_enter();
    tenure->next = tenures.first;
    tenures.first = tenure;
    pthread_mutex_unlock(&tenures.lock);
}

static Tenure *tenure_take(const TribWriter *of) {
    tenures_enter();
    Tenure **place = &tenures.first;
    while (*place && (*place)->of != of) place = &(*place)->next;
    Tenure *found = *place;
    if (found) *place = found->next;
    pthread_mutex_unlock(&tenures.lock);
    return found;
}

static void tenure_free(Source *self, Tenure *tenure) {
    if (tenure->held) permit_release(self);
    source_tx_leave(tenure->transaction);
    heap_free(tenure);
}

Status source_writable(Source *self, Error *err) {
    if (!self->connector->write_open) {
        (void)error_set(err, ERR_UNSUPPORTED, "catalog '%s' (%s) cannot be written to", self->name,
                        self->connector->type);
        return error_source(err, self->name);
    }
    return self->connector->writable ? self->connector->writable(self->catalog, err) : TRIB_OK;
}

Status source_write_open(Source *self, const SourceCall *call, const TribWriteRequest *request,
                         TribWriter **out, Error *err) {
    if (!self->connector->write_open || !self->connector->write_batch ||
        !self->connector->write_close)
        return not_offered(self, "be written to", err);
    Tenure *tenure;
    TRY_ALLOC(tenure, heap_alloc(sizeof *tenure), err);
    source_call_frame(&tenure->frame, self, call);
    Status status = source_call_permit(self, call, &tenure->held, err);
    if (status != TRIB_OK) {
        heap_free(tenure);
        return status;
    }
    tenure->transaction = source_call_tx(self, call);
    status = source_request_begin(self, call->cancel, err);
    if (status == TRIB_OK) {
        error_clear(err);
        status = self->connector->write_open(self->catalog, &tenure->frame.base, request, out, err);
        source_request_end(self, status, 1);
    }
    if (status == TRIB_OK && *out) {
        tenure_remember(tenure, *out);
        return TRIB_OK;
    }
    tenure_free(self, tenure);
    return source_fault(self, call->cancel, status, err);
}

Status source_write_batch(Source *self, TribWriter *writer, const Batch *batch, Error *err) {
    TribBatch array;
    if (batch->selected == 0) return TRIB_OK;
    TRY(arrow_export(batch, &array, err));
    error_clear(err);
    Status status = self->connector->write_batch(writer, &array, err);
    if (array.array.release) array.array.release(&array.array);
    return source_fault(self, NULL, status, err);
}

Status source_write_close(Source *self, TribWriter *writer, bool commit, uint64_t *rows,
                          Error *err) {
    Tenure *tenure = tenure_take(writer);
    uint64_t written = 0;
    error_clear(err);
    Status status = self->connector->write_close(writer, commit, &written, err);
    CancelToken *token = tenure ? tenure->frame.token : NULL;
    if (tenure) tenure_free(self, tenure);
    cancel_release(token);
    if (rows) *rows = written;
    return source_fault(self, NULL, status, err);
}

/* One call of the connector that changes something or prepares that: it is never made twice. */
static Status ask_once(Source *self, const SourceCall *call,
                       Status (*ask)(Source *, CallFrame *, void *, Error *), void *what,
                       Error *err) {
    CallFrame frame;
    bool held = false;
    source_call_frame(&frame, self, call);
    TRY(source_call_permit(self, call, &held, err));
    Status status = source_request_begin(self, call->cancel, err);
    if (status == TRIB_OK) {
        error_clear(err);
        status = ask(self, &frame, what, err);
        source_request_end(self, status, 1);
    }
    call_permit_end(self, call, held);
    return source_fault(self, call->cancel, status, err);
}

static Status ask_ddl(Source *self, CallFrame *frame, void *what, Error *err) {
    return self->connector->ddl(self->catalog, &frame->base, *(const TribDdl **)what, err);
}

Status source_ddl(Source *self, const SourceCall *call, const TribDdl *ddl, Error *err) {
    if (!self->connector->ddl) return not_offered(self, "create or drop tables", err);
    return ask_once(self, call, ask_ddl, &ddl, err);
}

static Status ask_modify(Source *self, CallFrame *frame, void *what, Error *err) {
    return self->connector->modify(self->catalog, &frame->base, what, err);
}

Status source_modify(Source *self, const SourceCall *call, TribModify *modify, Error *err) {
    modify->verdict = (TribVerdict){.kind = TRIB_NONE};
    if (!self->connector->modify) {
        (void)text_format(modify->verdict.reason, sizeof modify->verdict.reason,
                          "catalogs of type %s change rows by their key", self->connector->type);
        return TRIB_OK;
    }
    return ask_once(self, call, ask_modify, modify, err);
}
