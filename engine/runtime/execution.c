/*
 * execution.c - the life of an execution: opening operators, starting, waiting, failing, closing.
 *
 * Threads: the session's thread opens; workers run tasks; the application's thread waits in
 * execution_next. `live` counts tasks that have not ended; the execution is freed only at zero. A
 * failure stores the first error, wakes every task (they see `failed` and end) and the waiting thread.
 */
#include "engine/runtime/execution.h"

#include <time.h>

#include "engine/base/os.h"
#include "engine/exec/scroll_buffer.h"
#include "engine/runtime/pipeline.h"

static void execution_on_result(void *context) {
    execution_notice(context);
}

void execution_notice(Execution *self) {
    pthread_mutex_lock(&self->lock);
    atomic_fetch_add(&self->notices, 1);
    pthread_cond_broadcast(&self->changed);
    waker_wake(&self->listener);
    pthread_mutex_unlock(&self->lock);
}

/* The last task's worker lets go of the lock last: execution_free takes it before it frees. */
void execution_task_ended(Execution *self) {
    pthread_mutex_lock(&self->lock);
    atomic_fetch_sub(&self->live, 1);
    atomic_fetch_add(&self->notices, 1);
    pthread_cond_broadcast(&self->changed);
    waker_wake(&self->listener);
    pthread_mutex_unlock(&self->lock);
}

/* Wakes every task that was started, so that it sees a failure or a cancellation. */
static void execution_wake(Execution *self) {
    for (uint32_t i = 0; i < self->pipelines.count; i++) {
        Pipeline *p = self->pipelines.items[i];
        uint32_t n = atomic_load(&p->running) ? p->ntasks : 0;
        for (uint32_t t = 0; t < n; t++) task_wake(&p->tasks[t].task);
        if (atomic_load(&p->reserve_ready)) task_wake(&p->tasks[self->query.workers].task);
    }
    for (uint32_t i = 0; i < self->nsinks; i++) {
        Sink *sink = self->sinks[i];
        uint32_t n = atomic_load(&sink->finishing) ? sink->nfinish_tasks : 0;
        for (uint32_t t = 0; t < n; t++) task_wake(&sink->finish_tasks[t].task);
    }
}

void execution_fail(Execution *self, const Error *error) {
    pthread_mutex_lock(&self->lock);
    if (!atomic_load(&self->failed)) {
        self->error = *error;
        if (self->error.status ==
            TRIB_OK) { /* a failure must never look like the end of the rows */
            error_set(&self->error, ERR_GENERAL, "a step of the query failed without saying why");
        }
        atomic_store(&self->failed, true);
    }
    atomic_fetch_add(&self->notices, 1);
    pthread_cond_broadcast(&self->changed);
    waker_wake(&self->listener);
    pthread_mutex_unlock(&self->lock);
    execution_wake(self);
}

bool execution_drain(Execution *self) {
    if (self->inline_run || self->plan->root->kind != PHYS_RESULT) return false;
    if (!result_queue_drain(result_queue(self->query.shared[self->plan->root->id]))) return false;
    for (uint32_t i = 0; i < self->pipelines.count; i++)
        pipeline_reinforce(self->pipelines.items[i]);
    return true;
}

static bool query_stalled(Query *query) {
    return execution_drain(query->owner);
}

bool execution_is_reading(const Execution *self, const Source *source) {
    for (uint32_t i = 0; i < self->plan->nnodes; i++) {
        const PhysNode *node = self->plan->nodes[i];
        if (node->kind == PHYS_SCAN && scan_is_reading(self->query.shared[node->id], source))
            return true;
    }
    Execution *outer = (Execution *)self;
    bool reading = false;
    pthread_mutex_lock(&outer->lock);
    for (const Execution *n = outer->nested; n && !reading; n = n->next_nested)
        reading = execution_is_reading(n, source);
    pthread_mutex_unlock(&outer->lock);
    return reading;
}

static void execution_on_cancel(void *context) {
    Execution *self = context;
    Error err;
    if (cancel_check(self->query.cancel, &err) != TRIB_OK) execution_fail(self, &err);
}

static Status operators_open(Execution *self, Error *err) {
    Query *q = &self->query;
    for (uint32_t i = 0; i < self->plan->nnodes; i++) {
        const PhysNode *node = self->plan->nodes[i];
        const Operator *op = operator_of(node->kind);
        TRY_ALLOC(q->shared[node->id],
                  arena_alloc(self->arena, op->shared_size ? op->shared_size : 1), err);
    }
    for (uint32_t i = 0; i < self->plan->nnodes; i++) {
        const PhysNode *node = self->plan->nodes[i];
        const Operator *op = operator_of(node->kind);
        if (op->open) TRY(op->open(node, q, q->shared[node->id], err));
    }
    return TRIB_OK;
}

/* Tasks are allocated before anything runs, so that starting a pipeline cannot fail. */
static Status tasks_allocate(Execution *self, Error *err) {
    for (uint32_t i = 0; i < self->pipelines.count; i++) {
        Pipeline *p = self->pipelines.items[i];
        TRY_ALLOC(p->tasks, ARENA_ARRAY(self->arena, PipelineTask, self->query.workers + 1), err);
    }
    for (uint32_t i = 0; i < self->nsinks; i++) {
        TRY_ALLOC(self->sinks[i]->finish_tasks,
                  ARENA_ARRAY(self->arena, PipelineTask, self->query.workers), err);
    }
    return TRIB_OK;
}

/* One pipeline over VALUES needs no workers; nor does one that stores sets of parameters. */
static bool plan_is_light(const Execution *self) {
    if (self->pipelines.count != 1) return false;
    const PhysNode *source = self->pipelines.items[0]->source;
    if (phys_writes(self->plan->root)) return source->kind == PHYS_SETS;
    return source->kind == PHYS_VALUES && self->plan->root->kind == PHYS_RESULT &&
           source->as.values.nrows <= 4096;
}

/* Operators and pipelines, once the query's own fields are filled in. */
static Status execution_build(Execution *self, Error *err) {
    Query *q = &self->query;
    q->arena = self->arena;
    q->owner = self;
    q->nested = &nested_runs;
    TRY(operators_open(self, err));
    TRY(pipelines_build(self, err));
    TRY(tasks_allocate(self, err));
    self->inline_run = !self->outer && plan_is_light(self);
    if (self->plan->root->kind == PHYS_RESULT) {
        result_queue_notify(result_queue(q->shared[self->plan->root->id]), execution_on_result,
                            self);
    }
    return TRIB_OK;
}

static Status execution_prepare(Execution *self, const ExecutionParams *params, Error *err) {
    Query *q = &self->query;
    q->cancel = params->cancel;
    self->eval = *params->session;
    q->session = &self->eval;
    q->workers = params->workers ? params->workers : 1;
    q->force_spill = params->force_spill;
    q->buffer_result = params->buffer_result;
    q->batch_rows = BATCH_ROWS;
    q->call = params->call;
    q->stall_ns = params->stall_ns;
    if (params->stall_ns > 0) q->stalled = query_stalled;
    self->measure = params->measure;
    TRY_ALLOC(q->budget, budget_new(budget_process(), "query", params->memory_limit), err);
    self->eval.budget = q->budget;
    TRY(spill_space_new(params->spill_dir, params->spill_limit, params->spill_encryption,
                        params->cancel, &q->spill, err));
    TRY_ALLOC(q->counters, ARENA_ARRAY(self->arena, NodeCounters, self->plan->nids), err);
    TRY_ALLOC(q->shared, ARENA_ARRAY(self->arena, void *, self->plan->nids), err);
    return execution_build(self, err);
}

/* Everything of the outer query is the nested one's too, but for what belongs to its own operators. */
static Status nested_prepare(Execution *self, Error *err) {
    const Execution *outer = self->outer;
    Query *q = &self->query;
    *q = outer->query;
    q->buffer_result = false;
    q->stalled = NULL;
    self->measure = outer->measure;
    TRY_ALLOC(q->shared, ARENA_ARRAY(self->arena, void *, outer->plan->nids), err);
    memcpy(q->shared, outer->query.shared, outer->plan->nids * sizeof *q->shared);
    for (uint32_t i = 0; i < self->plan->nnodes; i++) q->shared[self->plan->nodes[i]->id] = NULL;
    return execution_build(self, err);
}

static Status execution_alloc(const PhysicalPlan *plan, Execution **out, Error *err) {
    Execution *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self->plan = plan;
    self->arena = arena_new(NULL);
    *out = self;
    return TRIB_OK;
}

Status execution_new(const ExecutionParams *params, Execution **out, Error *err) {
    *out = NULL;
    Execution *self;
    TRY(execution_alloc(params->plan, &self, err));
    Status status = self->arena ? execution_prepare(self, params, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        execution_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

Status execution_new_nested(Execution *outer, const PhysicalPlan *plan, const Waker *listener,
                            Execution **out, Error *err) {
    *out = NULL;
    Execution *self;
    TRY(execution_alloc(plan, &self, err));
    self->outer = outer;
    self->listener = *listener;
    Status status = self->arena ? nested_prepare(self, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        execution_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* Scans that are read first come first; the others read ahead with connections that are left. */
static void scans_prefetch(Execution *self) {
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < self->pipelines.count; i++) {
            const Pipeline *p = self->pipelines.items[i];
            bool first = atomic_load(&p->waits) == 1;
            if (p->source->kind == PHYS_SCAN && first == (pass == 0))
                scan_prefetch(self->query.shared[p->source->id]);
        }
    }
}

Status execution_scroll_buffer(Execution *self, ScrollBuffer **out, Error *err) {
    return scroll_buffer_new(self->plan->root, &self->query, out, err);
}

Status execution_start(Execution *self, Error *err) {
    if (!self->inline_run) TRY(pool_need(self->query.workers, err));
    self->started = true;
    atomic_fetch_add(&self->live, 1);
    self->cancel_handle = cancel_on(self->query.cancel, execution_on_cancel, self);
    scans_prefetch(self);
    uint32_t n = self->pipelines.count; /* the list does not change any more */
    for (uint32_t i = 0; i < n; i++) pipeline_arrive(self->pipelines.items[i]);
    execution_task_ended(self);
    return TRIB_OK;
}

bool execution_is_inline(const Execution *self) {
    return self->inline_run;
}

/* Waits for a notice after `seen`; false when the time is over. Lock held. */
static bool wait_notice(Execution *self, uint32_t seen, int64_t until_ns) {
    while (atomic_load(&self->notices) == seen) {
        int64_t until = until_ns, deadline = cancel_deadline(self->query.cancel);
        if (deadline < until) until = deadline;
        if (until == INT64_MAX) {
            pthread_cond_wait(&self->changed, &self->lock);
            continue;
        }
        struct timespec at = {(time_t)(until / 1000000000), (long)(until % 1000000000)};
        if (pthread_cond_timedwait(&self->changed, &self->lock, &at) != 0) return false;
    }
    return true;
}

static Status execution_error(Execution *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    *err = self->error;
    pthread_mutex_unlock(&self->lock);
    return err->status;
}

Status execution_look(Execution *self, ResultQueue *queue, bool *done, Batch **out, Error *err) {
    *done = true;
    *out = NULL;
    if (atomic_load(&self->failed)) return execution_error(self, err);
    TRY(cancel_check(self->query.cancel, err));
    uint32_t live = atomic_load(&self->live);
    if (queue) TRY(result_queue_take(queue, out, err));
    if (*out || live == 0) {
        /* the last task may have put up its batch or failed just before it ended */
        if (!*out && queue) TRY(result_queue_take(queue, out, err));
        if (!*out && atomic_load(&self->failed)) return execution_error(self, err);
        return TRIB_OK;
    }
    *done = false;
    return TRIB_OK;
}

/* A light execution goes on, on this thread: its task, then its sink's end. */
static void run_inline(Execution *self) {
    PipelineTask *task = &self->pipelines.items[0]->tasks[0];
    for (uint32_t i = 0; i < self->nsinks; i++) {
        if (atomic_load(&self->sinks[i]->finishing)) task = &self->sinks[i]->finish_tasks[0];
    }
    task_run_inline(&task->task);
}

static Status execution_wait(Execution *self, ResultQueue *queue, int64_t timeout_ns, bool *done,
                             Batch **out, Error *err) {
    int64_t until = timeout_ns < 0 ? INT64_MAX : os_now_ns() + timeout_ns;
    for (;;) {
        uint32_t seen = atomic_load(&self->notices);
        Status status = execution_look(self, queue, done, out, err);
        if (status != TRIB_OK) {
            *done = true;
            execution_fail(self, err);
            if (queue) result_queue_release(queue);
            return status;
        }
        if (*done) return TRIB_OK;
        if (self->inline_run) {
            run_inline(self);
            continue;
        }
        pthread_mutex_lock(&self->lock);
        bool noticed = wait_notice(self, seen, until);
        pthread_mutex_unlock(&self->lock);
        if (!noticed && os_now_ns() >= until) return TRIB_OK; /* *done is false */
    }
}

Status execution_next(Execution *self, int64_t timeout_ns, bool *done, Batch **out, Error *err) {
    ResultQueue *queue = result_queue(self->query.shared[self->plan->root->id]);
    return execution_wait(self, queue, timeout_ns, done, out, err);
}

Status execution_settle(Execution *self, Error *err) {
    pthread_mutex_lock(&self->lock);
    while (!self->inline_run && atomic_load(&self->live) > 0 && !atomic_load(&self->failed))
        (void)wait_notice(self, atomic_load(&self->notices), os_now_ns() + INT64_C(100000000));
    pthread_mutex_unlock(&self->lock);
    TRY(cancel_check(self->query.cancel, err));
    return atomic_load(&self->failed) ? execution_error(self, err) : TRIB_OK;
}

static void execution_join(Execution *self) {
    if (self->cancel_handle) cancel_off(self->query.cancel, self->cancel_handle);
    self->cancel_handle = NULL;
    if (atomic_load(&self->live) > 0) {
        Error err;
        error_set(&err, ERR_CANCELLED, "the statement was closed");
        execution_fail(self, &err);
    }
    if (self->plan->root->kind == PHYS_RESULT) {
        result_queue_release(result_queue(self->query.shared[self->plan->root->id]));
    }
    while (self->inline_run && atomic_load(&self->live) > 0) run_inline(self);
    pthread_mutex_lock(&self->lock);
    while (atomic_load(&self->live) > 0) {
        uint32_t seen = atomic_load(&self->notices);
        while (atomic_load(&self->notices) == seen && atomic_load(&self->live) > 0) {
            pthread_cond_wait(&self->changed, &self->lock);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

/* A request to end may come when the rows are visible already, or while they become so: what is done
 * is told as done. */
Status execution_finish(Execution *self, Error *err) {
    bool done;
    Batch *none;
    const PhysNode *root = self->plan->root;
    Status status = execution_wait(self, NULL, -1, &done, &none, err);
    if (status == TRIB_OK || !phys_writes(root)) return status;
    execution_join(self);
    const WriteOutcome *outcome = self->query.shared[root->id];
    return outcome->committed ? TRIB_OK : status;
}

void execution_free(Execution *self) {
    if (!self) return;
    if (self->started) execution_join(self);
    nested_free_all(self);
    Query *q = &self->query;
    if (q->shared) {
        for (uint32_t i = self->plan->nnodes; i-- > 0;) {
            const PhysNode *node = self->plan->nodes[i];
            const Operator *op = operator_of(node->kind);
            if (q->shared[node->id] && op->close) op->close(q->shared[node->id]);
        }
    }
    if (q->spill && !self->outer) spill_space_free(q->spill);
    arena_free(self->arena); /* it pays back to the budget */
    if (q->budget && !self->outer) budget_free(q->budget);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    heap_free(self);
}

const NodeCounters *execution_counters(Execution *self) {
    for (uint32_t i = 0; i < self->plan->nnodes; i++) {
        if (self->plan->nodes[i]->kind == PHYS_SCAN) {
            uint32_t id = self->plan->nodes[i]->id;
            scan_counters(self->query.shared[id], &self->query.counters[id].scan);
        }
    }
    return self->query.counters;
}

uint64_t execution_spilled(const Execution *self) {
    return spill_space_bytes(self->query.spill);
}

int64_t execution_memory(const Execution *self) {
    return budget_peak(self->query.budget);
}

uint64_t execution_written(const Execution *self) {
    const PhysNode *root = self->plan->root;
    const WriteOutcome *outcome = self->query.shared[root->id];
    return phys_writes(root) ? outcome->rows : 0;
}
