/*
 * operator.h - what an operator is: up to three roles around vectors.
 *
 *   source     produce(): batches out of nothing, a scan, or what a sink collected
 *   transform  process(): batch in, batches out
 *   sink       consume(), combine(), finish(): collects, a pipeline breaker
 *
 * A pipeline is one source, transforms, one sink, run by several workers at once. Each worker has its
 * own local state per operator; shared state is one per operator and query. Operators never wait: they
 * return STEP_BLOCKED after arranging for context->waker to be called, and are called again later.
 *
 * Life of an operator in a query:
 *   open (once, session thread) -> local_open per worker -> consume/process/produce ... ->
 *   combine per worker -> finish (repeatedly, by one or several workers, until STEP_FINISHED) ->
 *   produce ... -> local_close per worker -> close (once).
 * A hash join plays all three: sink for its build side, transform for its probe side, and, after the
 * probe side has ended, source for spilled partitions and unmatched build rows (the "tail").
 */
#ifndef TRIB_EXEC_OPERATOR_H
#define TRIB_EXEC_OPERATOR_H

#include "engine/base/grant.h"
#include "engine/base/waker.h"
#include "engine/plan/physical.h"
#include "engine/spill/spill.h"

struct KeyFilter; /* join.h */

typedef enum Step {
    STEP_NEED_INPUT, /* consumed the input; give the next (process: nothing put out) */
    STEP_HAVE_OUTPUT, /* produce: `out` is filled. process: `out` is filled and the same input must be
                         given again; the last output of an input comes with STEP_LAST_OUTPUT */
    STEP_LAST_OUTPUT, /* process: `out` is filled and the input is done */
    STEP_BLOCKED,     /* the waker will be called; try again with the same arguments */
    STEP_FINISHED /* produce: no more. process, consume: wants no more input (LIMIT). finish: done */
} Step;

/* A run of a plan inside the run of another: a step of a recursive query. runtime/nested.c. */
typedef struct NestedRun NestedRun;
typedef struct Query Query;
typedef struct NestedRuns {
    /* *out is to be freed even after a failure, if it is not NULL. The waker is called whenever next may
     * have something new. */
    Status (*start)(Query *query, const PhysicalPlan *plan, const Waker *waker, NestedRun **out,
                    Error *err);
    /* Never waits. A batch, valid until the next call; NULL and *done: the end; NULL: not yet. */
    Status (*next)(NestedRun *self, bool *done, Batch **out, Error *err);
    void (*stop)(NestedRun *self); /* it will not be asked any more; does not wait */
    void (*free)(NestedRun *self);
} NestedRuns;

/* The run-time state of one execution, as operators see it (runtime/query.c owns it). */
struct Query {
    Arena *arena; /* life of the execution; session thread only, during open */
    CancelToken *cancel;
    Budget *budget;
    SpillSpace *spill;
    const EvalSession *session;
    uint32_t workers; /* parallelism, >= 1 */
    bool force_spill;
    bool buffer_result; /* ReadAhead=spill: rows wait in a buffer, sources are not held up */
    uint32_t batch_rows;
    NodeCounters *counters; /* by node id */
    const TribValue *params;
    uint32_t nparams;
    SourceCall call; /* for scans and writes */
    void **shared;   /* operators' shared states by node id: joins find their scans */
    void *owner;     /* runtime's own */
    /* The application takes no rows while sources wait: true if rows go to a buffer from now on. Called
     * with a stream's lock. NULL = never. */
    bool (*stalled)(struct Query *query);
    int64_t stall_ns; /* after which it is called; 0 = never */
    const NestedRuns *nested;
};

/* Which of its roles an operator's local state serves. */
typedef enum OpRole { ROLE_SOURCE, ROLE_TRANSFORM, ROLE_SINK } OpRole;

typedef struct OpContext {
    const PhysNode *node;
    OpRole role;
    Query *query;
    void *shared, *local;
    uint32_t worker;    /* 0 .. workers-1 */
    uint32_t workers;   /* of this pipeline */
    const Waker *waker; /* of this task */
    Arena *arena;       /* this worker's, life of the pipeline */
} OpContext;

typedef struct Operator {
    const char *name;
    size_t shared_size, local_size; /* zeroed memory of that size */
    /* Bytes reserved at the start; <= 1 MiB + 256 KiB per worker. */
    uint64_t (*min_memory)(const PhysNode *node, uint32_t workers);
    Status (*open)(const PhysNode *node, Query *query, void *shared, Error *err);
    void (*close)(void *shared); /* also after a failed open; the state may be half built */
    Status (*local_open)(OpContext *context, Error *err);
    void (*local_close)(OpContext *context);

    Status (*produce)(OpContext *context, Batch *out, Step *step, Error *err);
    bool source_ordered; /* produce() must be called by one worker only (keeps order) */
    /* Transform. `in` stays the operator's to read until it returns NEED_INPUT, LAST_OUTPUT, FINISHED. */
    Status (*process)(OpContext *context, Batch *in, Batch *out, Step *step, Error *err);
    bool (*has_tail)(const PhysNode *node, void *shared); /* source role after the transform role */

    Status (*consume)(OpContext *context, Batch *in, Step *step, Error *err);
    Status (*combine)(OpContext *context, Error *err);
    Status (*finish)(OpContext *context, Step *step, Error *err);
    /* Upper bound of workers that may call finish() at once; NULL = 1. */
    uint32_t (*finish_tasks)(const PhysNode *node, void *shared);
} Operator;

/* The operator of each kind of node: exec/operators.c. */
const Operator *operator_of(PhysKind kind);

extern const Operator op_scan, op_values, op_sets, op_filter, op_project, op_hash_join,
    op_aggregate, op_sort, op_topn, op_limit, op_union, op_single_row, op_expand, op_write,
    op_merge, op_result, op_verify, op_repeat, op_sample, op_ties, op_unnest, op_recursive,
    op_working, op_shared, op_shared_read, op_window;

/* ---- between operators ---- */

/* op_scan: begins to read before the scan's pipeline does, if a connection is spare and no runtime filter
 * is worth waiting for. Never blocks. */
void scan_prefetch(void *scan_shared);
/* Does the scan hold connections of this source? Any thread, while the execution lives. */
bool scan_is_reading(const void *scan_shared, const Source *source);
/* op_scan: restricts a scan by a finished build side. Called by op_hash_join in finish(), before the
 * probe pipeline starts, by several joins at a time. Values are copied. complete false: only min/max are
 * meant. */
Status scan_add_filter(void *scan_shared, uint32_t output, bool complete, uint32_t nvalues,
                       const TribValue *values, Error *err) WARN_UNUSED;

/* Likewise, where the source takes no filter: rows whose value the filter does not let through are left
 * out. The filter is borrowed for the execution. */
Status scan_add_values(void *scan_shared, uint32_t output, const struct KeyFilter *filter,
                       Error *err) WARN_UNUSED;

/* op_result: where the application picks up batches. A worker that has put one up is blocked until it
 * has been read: nothing is copied, and a slow application stops the pipeline. */
typedef struct ResultQueue ResultQueue;
ResultQueue *result_queue(void *result_shared);
/* Any thread: rows that the application does not take go to a buffer from now on, so that nobody waits
 * for it. Only the worker whose batch the application is reading has to. false: the application is
 * waiting for rows itself, nothing is up. */
bool result_queue_drain(ResultQueue *self);
/* The oldest batch that is up, or NULL. What was taken before is given back (its worker goes on). */
Status result_queue_take(ResultQueue *self, Batch **out, Error *err) WARN_UNUSED;
/* Gives back what was taken, without taking another: the application will not read on. */
void result_queue_release(ResultQueue *self);
/* A worker's task is about to end: takes its batch out of the queue. false: the application is reading
 * it; the task must stay until it has been given back (its waker is called). */
bool result_slot_withdraw(void *result_shared, void *result_local);
/* Called under no lock whenever a batch is put up. */
void result_queue_notify(ResultQueue *self, void (*notify)(void *context), void *context);

/* op_write, op_merge: how it ended; valid after the execution has. The first member of their shared state. */
typedef struct WriteOutcome {
    uint64_t rows;  /* written, as the source counts them */
    bool committed; /* they are visible, whatever happens now */
} WriteOutcome;
/* op_scan: its counters; any time. */
void scan_counters(const void *scan_shared, ScanCounters *out);

#endif
