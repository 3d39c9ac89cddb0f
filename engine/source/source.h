/*
 * source.h - the engine's side of the connectors' ABI: loading, calling, reading.
 *
 * Source      one opened catalog of a connector, shared by the sessions whose configuration describes it
 *             identically; owns the connection permits, the rate cap and the counters. Reference-counted.
 * ScanStream  one scan of a query: opens splits, reads them on I/O threads into a bounded queue (or, for
 *             connectors that never block, lets the calling workers read), retries a split that failed
 *             before its first row was handed on, converts Arrow arrays to vectors without copying.
 * ScanReader  one worker's view of a ScanStream.
 *
 * Errors of connectors arrive with the catalog's name in `source`. Every call with I/O takes the
 * CancelToken of the statement.
 */
#ifndef TRIB_SOURCE_SOURCE_H
#define TRIB_SOURCE_SOURCE_H

#include "connectors/tributary_connector.h"
#include "engine/base/cancel.h"
#include "engine/base/grant.h"
#include "engine/base/waker.h"
#include "engine/vector/vector.h"

typedef struct Source Source;
typedef struct ScanStream ScanStream;
typedef struct ScanReader ScanReader;
typedef struct SourceTx SourceTx;

/* The connector of a type, loaded at first use: dlopen of trib_<type>.so from ConnectorPath, the folder
 * beside the driver, or the installed folder. Unknown type: an error naming the types that are there. */
Status connector_load(Str type, Str connector_path, const TribConnector **out,
                      Error *err) WARN_UNUSED;
/* The types for which a shared object is there, without loading them; sorted. */
Status connector_list(Arena *arena, Str connector_path, uint32_t *count, const char ***types,
                      Error *err) WARN_UNUSED;

typedef struct SourceParams {
    const TribConnector *connector;
    const char *name;          /* of the catalog */
    const TribOption *options; /* checked, secrets resolved; the engine's own options taken out */
    uint32_t noptions;
    uint32_t max_connections;       /* permits; 0 = the connector's default 4 */
    double max_requests_per_second; /* 0 = no cap */
    Str fingerprint;                /* equal fingerprints share a Source */
} SourceParams;

/* Finds or opens; one reference. */
Status source_open(const SourceParams *params, Source **out, Error *err) WARN_UNUSED;
/* A source of its own over a catalog that is open already, for connectors that are built in. The catalog
 * is closed with the last reference, or at once if this fails. */
Status source_wrap(const TribConnector *connector, const char *name, TribCatalog *catalog,
                   Source **out, Error *err) WARN_UNUSED;
void source_retain(Source *self);
void source_release(Source *self);
const char *source_name(const Source *self);
const char *source_type(const Source *self);
const TribConnector *source_connector(const Source *self);
uint32_t source_max_connections(const Source *self);

/* What warnings of connectors go to. */
typedef void (*SourceWarning)(void *context, const char *catalog, const char *sqlstate,
                              const char *text);
/* The context of calls on behalf of one statement. */
typedef struct SourceCall {
    CancelToken *cancel;
    int64_t deadline_ns; /* INT64_MAX = none; the nearer of it and the token's counts */
    SourceWarning warn;  /* may be NULL */
    void *warn_context;
    void *
        owner; /* whose cursors may be drained when connections run out (the session); may be NULL */
    /* What the session has begun; counts for calls to its own source. NULL = none. */
    SourceTx *transaction;
} SourceCall;

Status source_check(Source *self, const SourceCall *call, char *text, size_t size,
                    Error *err) WARN_UNUSED;
Status source_list_schemas(Source *self, const SourceCall *call, TribNames *names,
                           Error *err) WARN_UNUSED;
Status source_list_tables(Source *self, const SourceCall *call, const char *schema,
                          TribNames *names, Error *err) WARN_UNUSED;
Status source_describe(Source *self, const SourceCall *call, const char *schema, const char *table,
                       TribNames *names, Error *err) WARN_UNUSED;

/* Describes the columns of a statement in the source's own language. HYC00 where the connector has none. */
Status source_passthrough(Source *self, const SourceCall *call, const char *text, TribNames *names,
                          Error *err) WARN_UNUSED;

/* The columns of a table's foreign keys, or of those that refer to it; none where the connector knows none. */
Status source_references(Source *self, const SourceCall *call, const char *schema,
                         const char *table, bool incoming, TribNames *names,
                         Error *err) WARN_UNUSED;

/* A plan of the connector, with the source it belongs to. Immutable, reference-counted. */
typedef struct SourcePlan SourcePlan;
Status source_plan(Source *self, const SourceCall *call, TribOffer *offer, SourcePlan **out,
                   Error *err) WARN_UNUSED;
void source_plan_retain(SourcePlan *self);
void source_plan_release(SourcePlan *self);
Source *source_plan_source(const SourcePlan *self);

/* ---------------------------------------------------------------- writing */

Status source_write_open(Source *self, const SourceCall *call, const TribWriteRequest *request,
                         TribWriter **out, Error *err) WARN_UNUSED;
/* Exports the selected rows as one canonical Arrow batch and hands it over. */
Status source_write_batch(Source *self, TribWriter *writer, const Batch *batch,
                          Error *err) WARN_UNUSED;
Status source_write_close(Source *self, TribWriter *writer, bool commit, uint64_t *rows,
                          Error *err) WARN_UNUSED;
Status source_ddl(Source *self, const SourceCall *call, const TribDdl *ddl, Error *err) WARN_UNUSED;
/* UPDATE or DELETE as a whole. Where the connector has no such call the verdict is NONE. */
Status source_modify(Source *self, const SourceCall *call, TribModify *modify,
                     Error *err) WARN_UNUSED;
/*
 * A transaction of one source, with its connection's permit. It is used by one thing at a time (scan, writer,
 * other call): who comes second waits, except with connectors that never block. UNSUPPORTED where the connector has none; an isolation level that it does not have is taken as the next
 * stronger one.
 */
Status source_tx_begin(Source *self, const SourceCall *call, TribIsolation isolation,
                       bool read_only, SourceTx **out, Error *err) WARN_UNUSED;
/* Ends and frees it in any case. 08007: the outcome of a commit is not known. */
Status source_tx_end(SourceTx *self, const SourceCall *call, bool commit, Error *err) WARN_UNUSED;
Status source_tx_mark(SourceTx *self, const SourceCall *call, TribMark mark,
                      Error *err) WARN_UNUSED;
Source *source_tx_source(const SourceTx *self);
TribTx *source_tx_handle(const SourceTx *self); /* NULL for NULL */
/* Waits for its turn with the transaction's connection; NULL, or a connector that never blocks: at once. */
Status source_tx_enter(SourceTx *self, CancelToken *token, Error *err) WARN_UNUSED;
void source_tx_leave(SourceTx *self);
/* The call's transaction if it is of this source, else NULL. */
SourceTx *source_call_tx(const Source *self, const SourceCall *call);
void source_tx_retain(SourceTx *self);
void source_tx_release(SourceTx *self);
/* Can this source have transactions? */
bool source_has_transactions(const Source *self);
/* May it be written to at all, as far as its type and options tell? Without I/O; HYC00, 25006. */
Status source_writable(Source *self, Error *err) WARN_UNUSED;

/* ---------------------------------------------------------------- scans */

typedef enum StreamStep { STREAM_BATCH, STREAM_BLOCKED, STREAM_END } StreamStep;

typedef struct ScanParams {
    SourcePlan *plan; /* retained by the stream */
    SourceCall call;
    uint32_t ncolumns;
    const Type *types;  /* of the output columns */
    uint32_t threads;   /* workers that will read; splits wanted = max(threads, permits) */
    TribFilter *filter; /* NULL = none; opening waits until it is ready */
    uint32_t nparams;
    const TribValue *params;
    Budget *budget;     /* of the query: blocks in flight and the library's reserve are charged */
    int64_t limit;      /* stop reading after this many rows; < 0 = none */
    uint64_t max_value; /* bytes; a longer text or binary value is an error (54000); 0 = any */
    SourceTx *transaction; /* NULL = none; outlives the stream's threads */
    bool for_update;       /* the rows will be changed by key */
    bool ordered;          /* the plan took the order: one split, rows come in its order */
    /* Called on an I/O thread when nobody took rows for stall_ns (0 = never) while some were waiting:
     * the consumer should read on into a buffer of its own. false: it is not the one who is slow; ask
     * again after the same time. Must not block or call the stream. May be NULL. */
    bool (*stalled)(void *context);
    void *stalled_context;
    int64_t stall_ns;
} ScanParams;

typedef struct ScanCounters {
    uint64_t rows, bytes, requests, retries;
    uint32_t splits, connections;
    int64_t wait_ns;
    uint64_t pages, scanned; /* of sources that count them */
    double capacity;
} ScanCounters;

/* Starts nothing yet. */
Status scan_stream_new(const ScanParams *params, ScanStream **out, Error *err) WARN_UNUSED;
/* Begins to read (prefetch) if a connection is spare; idempotent; never blocks. Needs the filter to be
 * ready. What was read ahead may be thrown away while nobody reads, when another scan needs the
 * connection: only streams that a reader asked for rows keep theirs. */
void scan_stream_start(ScanStream *self);
/* The same, but without the filter if that is not ready: it is not worth waiting for. */
void scan_stream_prefetch(ScanStream *self);
/* Does it hold connections of the source now? Any thread. */
bool scan_stream_is_reading(ScanStream *self, const Source *source);
Status scan_reader_new(ScanStream *stream, Arena *arena, ScanReader **out, Error *err) WARN_UNUSED;
/*
 * Never blocks (except inside connectors flagged NONBLOCKING, which do not wait). BATCH: `out` holds
 * references to its buffers. BLOCKED: the waker will be called. END: no more rows for this reader.
 */
Status scan_reader_next(ScanReader *self, const Waker *waker, Batch *out, StreamStep *step,
                        Error *err) WARN_UNUSED;
void scan_reader_free(ScanReader *self);
/* Enough rows were taken, or the query ends: stops reading without waiting. Any thread. */
void scan_stream_stop(ScanStream *self);
/* Stops, waits for the I/O threads up to `wait_ns`, then lets them end by themselves. */
void scan_stream_free(ScanStream *self, int64_t wait_ns);
void scan_stream_counters(ScanStream *self, ScanCounters *out);
/* Nanoseconds since which the queue is full and nobody takes rows; 0 = rows move. Any thread. */
int64_t scan_stream_stalled_ns(const ScanStream *self);

/*
 * Called (on the thread that waits; it must not block) when a call on behalf of `owner` needs a
 * connection of the source and none is free, and again every second: the owner's longest idle cursor on
 * that source should be drained. The owner may be gone by then. Set once by runtime/. Who waits longer
 * than 30 s without any movement fails with HYT00 naming max_connections.
 */
typedef void (*SourceExhaustedHook)(void *owner, const Source *source);
void source_set_exhausted_hook(SourceExhaustedHook hook);
/* The 30 s, for tests. */
void source_set_longest_wait(int64_t ns);

/* ---------------------------------------------------------------- Arrow (arrow_import.c, arrow_export.c) */

/* Columns of a connector's batch as vectors; the batch keeps the array until it is cleared. On entry
 * booleans become bytes, string views are rebased to pointers, unaligned validity is realigned; nothing
 * else is copied. Lengths and offsets are checked against each other; invalid UTF-8 is an error.
 * `schema` NULL or released: the canonical layout. */
Status arrow_import(TribBatch *array, const struct ArrowSchema *schema, uint32_t ncolumns,
                    const Type *types, Batch *out,
                    Error *err) WARN_UNUSED; /* `array` is taken over in any case */
/* The selected rows in the canonical layout. Valid until the batch is cleared; released by the caller. */
Status arrow_export(const Batch *batch, TribBatch *out, Error *err) WARN_UNUSED;

#endif
