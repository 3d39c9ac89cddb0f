/*
 * internal.h - what the files of engine/source share.
 */
#ifndef TRIB_SOURCE_INTERNAL_H
#define TRIB_SOURCE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/os.h"
#include "engine/source/source.h"

/* The services of host.c: one for the whole process. */
const TribHost *source_host(void);

/* ---- calls (call.c) */

/* A TribCall over a cancellation token. Lives as long as what it was given to. */
typedef struct CallFrame {
    TribCall base;
    CancelToken *token; /* may be NULL */
    const char *catalog;
    SourceWarning warn; /* may be NULL; `guard`, if any, is held while it is read and called */
    void *warn_context;
    pthread_mutex_t *guard;
} CallFrame;

void call_frame_init(CallFrame *self, const Source *source, CancelToken *token,
                     int64_t deadline_ns);
/* The nearer of the call's deadline and its token's. */
int64_t source_call_deadline(const SourceCall *call);

/* ---- sources (source.c) */

typedef struct PermitWaiter PermitWaiter;

struct Source {
    _Atomic uint32_t references;
    uint32_t stamp; /* os_pid_stamp of the process that opened it */
    Source *next;   /* in the registry; guarded by its lock */
    const TribConnector *connector;
    TribCatalog *catalog;
    char *name;
    Str fingerprint;
    uint32_t max_connections;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    uint32_t used;         /* permits */
    PermitWaiter *waiters; /* first come, first served */
    ScanStream *streams;   /* those with I/O threads */
    int64_t progress_ns;   /* when rows were last taken from any of them */
    double rate, tokens;   /* requests per second; tokens may be negative (paid afterwards) */
    int64_t tokens_at;
    int64_t delay_ns; /* additive increase, multiplicative decrease: as throttling asks for */
};

struct SourcePlan {
    _Atomic uint32_t references;
    Source *source;
    TribPlan *plan;
};

bool source_nonblocking(const Source *self);
/* Waits for the rate cap and the back-off of the source. HY008, HYT00. */
Status source_request_begin(Source *self, CancelToken *token, Error *err) WARN_UNUSED;
/* Learns from the outcome; `requests` beyond the first are paid now. */
void source_request_end(Source *self, Status status, uint64_t requests);
/* Is the failure worth another attempt (0-based `attempt` has just failed)? Waits before saying yes. */
bool source_retry(Source *self, CancelToken *token, uint32_t attempt, const Error *err);
/* Names the catalog, and lets a cancellation or time-out of the statement speak for itself. */
Status source_fault(const Source *self, CancelToken *token, Status status, Error *err);

/* The frame of a call outside of scans. */
void source_call_frame(CallFrame *frame, const Source *self, const SourceCall *call);
/* A call outside of scans needs a connection like any other; `held`: it has one, to be given back. Within a
 * transaction: its turn. */
Status source_call_permit(Source *self, const SourceCall *call, bool *held, Error *err) WARN_UNUSED;

/* ---- permits (permit.c) */

/* Takes a permit if one is free and nobody waits. */
bool permit_try(Source *self);
/* Waits for one: until the token is set, its deadline passes, or nothing moves for 30 s (HYT00). */
Status permit_wait(Source *self, CancelToken *token, void *owner, Error *err) WARN_UNUSED;
void permit_release(Source *self);
bool permit_wanted(Source *self); /* does somebody wait? */
void permit_progress(Source *self);
/* A stream with I/O threads can be asked to give its permits back. */
void source_add_stream(Source *self, ScanStream *stream);
void source_remove_stream(Source *self, ScanStream *stream);
/* Sees to it, once, that I/O threads are stopped when the process exits. */
void sources_watch_exit(void);
extern _Atomic int32_t io_threads_live;

/* ---- streams (stream.c, stream_io.c) */

typedef struct Block {
    TribBatch batch;
    struct ArrowSchema *schema; /* of the thread's scan; NULL = canonical */
    uint64_t bytes;
    uint32_t generation; /* older than the stream's: to be thrown away */
} Block;

/* A schema that several blocks and their scan share. */
typedef struct SharedSchema {
    _Atomic uint32_t references;
    struct ArrowSchema schema;
} SharedSchema;

void shared_schema_release(SharedSchema *self);

typedef struct IoThread IoThread;
struct IoThread {
    IoThread *next; /* guarded by the stream's lock */
    ScanStream *stream;
    CancelToken *token;
    CallFrame frame;
    uint32_t generation;
    bool has_permit;     /* set by the thread under the stream's lock */
    bool has_turn;       /* with the transaction */
    bool left;           /* counted out of nlive already; guarded by the stream's lock */
    bool cancelled;      /* the token was set by us; guarded by the stream's lock */
    uint32_t references; /* of those who interrupt it just now; guarded by the stream's lock */
    pthread_mutex_t scan_lock; /* guards scan against scan_cancel */
    TribScan *scan;
};

struct ScanReader {
    ScanStream *stream;
    ScanReader *next; /* guarded by the stream's lock, like the next two */
    Waker waker;
    bool waiting;
    /* NONBLOCKING connectors: the reader's own scan. */
    CallFrame frame;
    TribScan *scan;
    SharedSchema *schema;
    TribStats seen;
};

struct ScanStream {
    _Atomic uint32_t references;
    Source *source;
    SourcePlan *plan;
    Arena *arena; /* copies of types, parameters, filter keys */
    uint32_t ncolumns;
    Type *types;
    uint32_t threads;
    bool ordered;
    uint32_t nparams;
    TribValue *params;
    TribFilter *source_filter; /* the query's; its keys are copied when the stream starts */
    TribFilter filter;         /* ours, over the copies */
    bool filtered;             /* guarded by the lock; keys do not change any more once it is set */
    uint32_t nkeys;
    TribFilterKey *keys;
    SourceTx *transaction;
    bool for_update;
    int64_t limit;
    void *owner;
    CancelToken *token; /* of the statement */
    void *cancel_handle;
    int64_t deadline_ns;

    ScanStream *source_next, *source_previous; /* guarded by the source's lock */
    bool listed;

    _Atomic bool required; /* a reader asked for rows: permits are not given back */
    _Atomic uint64_t rows_pushed;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t space; /* the queue has room, or the stream ends */
    pthread_cond_t ended; /* an I/O thread ended */
    bool started, stopped, enough, abandoned, failed;
    Error error;
    uint32_t generation; /* counts up when prefetching is given up */
    bool splits_known;
    const TribSplit *const *splits;
    uint32_t nsplits, next_split, splits_done;
    IoThread *live; /* threads of every generation */
    uint32_t nlive; /* of the current one */
    uint32_t threads_max;
    Block *queue; /* a ring */
    uint32_t queue_capacity, queue_first, queue_count;
    ScanReader *readers;
    SourceWarning warn;
    void *warn_context;
    bool (*stalled)(void *context);
    void *stalled_context;
    int64_t stall_ns;   /* 0 = never */
    uint64_t max_value; /* bytes, 0 = any */
    bool stall_told;
    _Atomic int64_t stalled_since; /* 0 = not */
    Grant grant;
    bool granted;
    ScanCounters counters;
};

void stream_retain(ScanStream *self);
void stream_unref(ScanStream *self);
/* Under the lock: records the first failure and ends everything. */
void stream_fail(ScanStream *self, const Error *err);
void stream_wake_readers(ScanStream *self); /* under the lock */
/* Sets the tokens of the I/O threads of generations before `generation`. Without the lock. */
void stream_cancel_threads(ScanStream *self, uint32_t generation, CancelReason reason);
/* Under the lock: starts the first I/O thread; `required`: it may wait for its permit. */
void stream_launch(ScanStream *self, bool required);
/* Asks a stream that nobody reads yet for its permits; true if it gives them back. */
bool stream_preempt(ScanStream *self);
void stream_drop_queue(ScanStream *self, bool all); /* all, or the stale blocks; without the lock */
Status stream_splits(ScanStream *self, TribCall *call, CancelToken *token, Error *err) WARN_UNUSED;
/* Adds what the scan did since `seen`. Under the lock. */
void stream_count(ScanStream *self, TribScan *scan, TribStats *seen);

/* ---- Arrow */

/* Skips the check of UTF-8. */
Status arrow_import_from(TribBatch *array, const struct ArrowSchema *schema, uint32_t ncolumns,
                         const Type *types, bool valid_text, Batch *out, Error *err) WARN_UNUSED;
/* Bytes that the rows of a batch take, long text included; checks nothing. */
uint64_t arrow_bytes(const struct ArrowArray *array, uint32_t ncolumns, const Type *types);

/* Scratch memory (slab.c), not zeroed. */
typedef struct Slab {
    size_t size, used;
    uint32_t class;
    _Alignas(64) char data[];
} Slab;

Slab *slab_take(size_t bytes); /* NULL: too much, or memory is exhausted */
void slab_give(Slab *slab);    /* NULL is allowed */

typedef struct ArrowImport {
    Arena *arena;
    Slab *slab; /* NULL = none */
    bool valid_text;
    Error *err;
    uint32_t column; /* for messages */
} ArrowImport;

/* One column in any layout (arrow_import.c); `from` counts from the array's offset. */
Status arrow_column(ArrowImport *self, const struct ArrowArray *array,
                    const struct ArrowSchema *schema, Type type, int64_t from, uint32_t count,
                    uint32_t depth, Vector *out);
/* Layouts other than the canonical one, of fixed width (arrow_convert.c). *done false: not known. */
Status arrow_convert(ArrowImport *self, const struct ArrowArray *array, const char *format,
                     int64_t at, uint32_t count, Vector *out, bool *done);
Status arrow_fault(ArrowImport *self, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
