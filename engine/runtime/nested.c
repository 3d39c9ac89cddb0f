/*
 * nested.c - executions inside an execution: the steps of recursive queries.
 *
 * An operator starts one and is woken when a batch is there or the end has come; it never waits. The nested
 * execution shares the outer one's budget, spill space, counters, cancellation and the shared states of its
 * operators; its own are in an arena that goes with it. The outer execution knows those that are left and
 * ends them first when it is freed.
 *
 * Threads: start, next and free are called by one task of the outer execution at a time; stop by that task.
 * Locks: the outer execution's guards the list of nested ones.
 */
#include "engine/runtime/execution.h"
#include "engine/runtime/pipeline.h"

/* Rows that the application does not take hold up the nested scans too. */
static bool nested_stalled(Query *query) {
    Execution *self = query->owner;
    return self->outer->query.stalled(&self->outer->query);
}

static void nested_link(Execution *outer, Execution *self) {
    pthread_mutex_lock(&outer->lock);
    self->next_nested = outer->nested;
    outer->nested = self;
    pthread_mutex_unlock(&outer->lock);
}

static void nested_unlink(Execution *outer, Execution *self) {
    pthread_mutex_lock(&outer->lock);
    Execution **at = &outer->nested;
    while (*at && *at != self) at = &(*at)->next_nested;
    if (*at) *at = self->next_nested;
    pthread_mutex_unlock(&outer->lock);
}

static void scan_counters_add(ScanCounters *self, const ScanCounters *more) {
    self->rows += more->rows;
    self->bytes += more->bytes;
    self->requests += more->requests;
    self->retries += more->retries;
    self->splits += more->splits;
    self->connections += more->connections;
    self->wait_ns += more->wait_ns;
    self->pages += more->pages;
    self->scanned += more->scanned;
    self->capacity += more->capacity;
}

/* What the scans have read so far is added to the counters that all runs of the plan share. */
static void nested_count(Execution *self) {
    for (uint32_t i = 0; i < self->plan->nnodes; i++) {
        const PhysNode *node = self->plan->nodes[i];
        if (node->kind != PHYS_SCAN) continue;
        ScanCounters run, *sum = &self->query.counters[node->id].scan;
        scan_counters(self->query.shared[node->id], &run);
        scan_counters_add(sum, &run);
    }
}

static Status nested_start(Query *query, const PhysicalPlan *plan, const Waker *waker,
                           NestedRun **out, Error *err) {
    Execution *outer = query->owner, *self;
    *out = NULL;
    TRY(execution_new_nested(outer, plan, waker, &self, err));
    if (outer->query.stalled) self->query.stalled = nested_stalled;
    nested_link(outer, self);
    *out = (NestedRun *)self;
    return execution_start(self, err);
}

static Status nested_next(NestedRun *run, bool *done, Batch **out, Error *err) {
    Execution *self = (Execution *)run;
    ResultQueue *queue = result_queue(self->query.shared[self->plan->root->id]);
    Status status = execution_look(self, queue, done, out, err);
    if (status != TRIB_OK) {
        execution_fail(self, err);
        result_queue_release(queue);
    }
    return status;
}

static void nested_stop(NestedRun *run) {
    Error err;
    error_set(&err, ERR_CANCELLED, "no more rows are wanted");
    execution_fail((Execution *)run, &err);
}

static void nested_free(NestedRun *run) {
    Execution *self = (Execution *)run;
    nested_unlink(self->outer, self);
    nested_count(self);
    execution_free(self);
}

void nested_free_all(Execution *outer) {
    while (outer->nested) nested_free((NestedRun *)outer->nested);
}

const NestedRuns nested_runs = {
    .start = nested_start,
    .next = nested_next,
    .stop = nested_stop,
    .free = nested_free,
};
