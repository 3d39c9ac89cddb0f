/*
 * pipeline.h - the inside of an execution, shared by execution.c (life) and pipeline.c (cutting, tasks).
 */
#ifndef TRIB_RUNTIME_PIPELINE_H
#define TRIB_RUNTIME_PIPELINE_H

#include <pthread.h>

#include "engine/exec/operator.h"
#include "engine/runtime/pool.h"

typedef struct Pipeline Pipeline;
typedef struct Sink Sink;
typedef struct PipelineTask PipelineTask;
typedef struct Execution Execution;

/* A list of pipelines that grows in the execution's arena. */
typedef struct PipelineList {
    uint32_t count, capacity;
    Pipeline **items;
} PipelineList;

/* What batches of several pipelines flow into. Finished once all of them have ended. */
struct Sink {
    Execution *execution;
    const PhysNode *node;
    _Atomic uint32_t feeders;   /* pipelines that have not ended */
    _Atomic uint32_t finishing; /* finish tasks that have not ended */
    PipelineTask *finish_tasks;
    uint32_t nfinish_tasks;
    PipelineList dependents; /* start after this sink has finished */
};

struct Pipeline {
    Execution *execution;
    const PhysNode *source;
    uint32_t nstages;
    const PhysNode **stages; /* transforms, in order of the flow */
    Sink *sink;
    bool tail;               /* the source is a join's tail */
    _Atomic uint32_t waits;  /* events before it may start */
    PipelineList dependents; /* start after this pipeline has ended (its sink may still be open) */
    uint32_t ntasks;
    PipelineTask *tasks; /* room for one per worker and one in reserve */
    _Atomic uint32_t running;
    _Atomic bool reinforced;    /* somebody starts the one in reserve */
    _Atomic bool reserve_ready; /* it may be woken */
};

typedef enum { PHASE_OPEN, PHASE_RUN, PHASE_COMBINE, PHASE_END, PHASE_FINISH } TaskPhase;

/* One worker's way through a pipeline (or a share of a sink's finish). Owned by whoever runs it. */
struct PipelineTask {
    Task task; /* first */
    Pipeline *pipeline;
    Sink *sink; /* PHASE_FINISH */
    uint32_t worker;
    TaskPhase phase;
    Arena *arena;
    Waker waker;
    OpContext *contexts; /* [0] source, [1..nstages] transforms, [nstages+1] sink */
    uint32_t nopen;      /* contexts whose local state is open */
    Batch *batches;      /* [i] = output of context i */
    bool *pending;       /* [i]: context i must be asked again with batches[i-1] before new input */
    uint32_t level; /* batches[level-1] is to be delivered to context `level`; 0 = ask the source */
    bool stopped;   /* a transform or the sink wants no more */
};

struct Execution {
    Query query;
    EvalSession eval; /* the statement's, with the query's budget */
    const PhysicalPlan *plan;
    Arena *arena;
    uint32_t npipelines;
    PipelineList pipelines;
    Sink **sinks;
    uint32_t nsinks;
    bool inline_run, started, measure;
    Execution *outer;                /* of a nested execution; NULL = none */
    Waker listener;                  /* told of every change; guarded by lock */
    Execution *nested, *next_nested; /* those inside; guarded by lock */
    void *cancel_handle;
    uint64_t spilled_before;

    pthread_mutex_t lock;   /* guards error, and the condition */
    pthread_cond_t changed; /* a batch is up, or the end has come */
    _Atomic uint32_t
        live; /* tasks that have not ended, plus one while pipelines are being started */
    _Atomic bool failed;
    _Atomic uint32_t notices; /* bumped with every change */
    Error error;
};

/* Cuts the plan: fills execution->pipelines with their dependencies. */
Status pipelines_build(Execution *execution, Error *err) WARN_UNUSED;
/* An event that the pipeline waited for has come; starts it with the last. */
void pipeline_arrive(Pipeline *self);
TaskStep pipeline_task_run(Task *task);
void pipeline_task_done(Task *task);
void pipeline_task_close(PipelineTask *self);
/* Any thread while the execution lives: the only task of a pipeline may be waiting for the application;
 * another one goes on reading the scan. */
void pipeline_reinforce(Pipeline *self);
/* One look: *done with a batch, the end or an error; else not yet. */
Status execution_look(Execution *self, ResultQueue *queue, bool *done, Batch **out,
                      Error *err) WARN_UNUSED;
/* An execution of a plan inside `outer`. */
Status execution_new_nested(Execution *outer, const PhysicalPlan *plan, const Waker *listener,
                            Execution **out, Error *err) WARN_UNUSED;
/* nested.c */
extern const NestedRuns nested_runs;
void nested_free_all(Execution *outer);
void execution_notice(Execution *self);
void execution_task_ended(Execution *self);

#endif
