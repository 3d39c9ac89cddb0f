/*
 * execution.h - one run of a physical plan: pipelines, their tasks, their end.
 *
 * The plan is cut at pipeline breakers (a join's build side, aggregation, sort). A Pipeline is a source,
 * transforms and a sink; it starts when everything that it waits for has ended. Tasks (one per worker)
 * push batches from source to sink and give their worker back whenever an operator is blocked.
 *
 * The first error wins; it ends all tasks. Life: execution_new (opens operators) -> execution_start ->
 * execution_next ... -> execution_free. Threads: start, next and free are called by one thread at a
 * time; execution_fail by any.
 */
#ifndef TRIB_RUNTIME_EXECUTION_H
#define TRIB_RUNTIME_EXECUTION_H

#include "engine/exec/operator.h"

typedef struct Execution Execution;
typedef struct ScrollBuffer ScrollBuffer; /* exec/scroll_buffer.h */

typedef struct ExecutionParams {
    const PhysicalPlan *plan; /* outlives the execution */
    const EvalSession *session;
    CancelToken *cancel;
    SourceCall call;
    uint32_t workers;
    bool force_spill, buffer_result;
    int64_t memory_limit, spill_limit;
    Str spill_dir;
    bool spill_encryption;
    bool measure; /* EXPLAIN ANALYZE: take times */
    int64_t
        stall_ns; /* after which rows that the application does not take are buffered; 0 = never */
} ExecutionParams;

Status execution_new(const ExecutionParams *params, Execution **out, Error *err) WARN_UNUSED;
/* A plan of one short pipeline over VALUES is run by the caller inside execution_next, without workers. */
Status execution_start(Execution *self, Error *err) WARN_UNUSED;
bool execution_is_inline(const Execution *self);
/* Waits for the next batch; NULL at the end. timeout_ns < 0: as long as it takes; *done false: not yet.
 * The batch is valid until the next call. */
Status execution_next(Execution *self, int64_t timeout_ns, bool *done, Batch **out,
                      Error *err) WARN_UNUSED;
/* Room for the rows that execution_next hands out, by number; to be closed before the execution is freed,
 * even after a failure, if it is not NULL. */
Status execution_scroll_buffer(Execution *self, ScrollBuffer **out, Error *err) WARN_UNUSED;
/* Waits for the end of a plan without rows (writes). */
/* Waits until all rows stand in the result's buffer (buffer_result), or the query has failed. */
Status execution_settle(Execution *self, Error *err) WARN_UNUSED;
Status execution_finish(Execution *self, Error *err) WARN_UNUSED;
/* Ends it with an error (kept if it is the first). */
void execution_fail(Execution *self, const Error *error);
/* Any thread while the execution lives: rows that the application does not take are buffered from now on,
 * so that sources are read to their end. false: the application is waiting for rows itself. */
bool execution_drain(Execution *self);
/* Do its scans hold connections of this source? Any thread while the execution lives. */
bool execution_is_reading(const Execution *self, const Source *source);
void execution_free(Execution *self);
const NodeCounters *execution_counters(Execution *self); /* with the scans' counters filled in */
uint64_t execution_spilled(const Execution *self);
int64_t execution_memory(const Execution *self);
uint64_t execution_written(const Execution *self); /* rows, of a plan whose root is a write */

#endif
