/*
 * pipeline.c - cutting a physical plan into pipelines, and running their tasks.
 *
 * Cutting walks the plan from the root with the chain of transforms below the nearest sink. A breaker
 * ends the chain: its child gets an empty chain into the breaker's sink, and the breaker becomes the
 * source of the chain above it. A join is a transform for its probe side and the sink of its build
 * side. A transform that may have rows left when its input has ended (unmatched build rows, spilled
 * partitions) is also the source of a pipeline of its own, the tail, which runs after all others that
 * flow through it. build() returns the pipelines that feed a chain, so that tails
 * and sinks know whom to wait for. Shared plans come first: each has a sink of its own, and those who read it
 * start after that.
 *
 * A task keeps one batch per stage. Batches borrow from the batch before them, so a batch is cleared
 * only when everything made of it has been consumed: the deepest stage that still has output to give
 * goes first (`pending`).
 */
#include "engine/runtime/pipeline.h"

#include "engine/base/os.h"
#include "engine/runtime/execution.h"

#define SLICE_NS    INT64_C(5000000) /* a task gives its worker back after 5 ms */
#define SLICE_CHECK 16               /* ... looking at the clock every so many steps */

/* ---------------------------------------------------------------- cutting */

typedef struct Chain {
    uint32_t count;
    const PhysNode *const *stages;
    Sink *sink;
} Chain;

typedef struct Builder {
    Execution *execution;
    uint32_t depth;
} Builder;

static Status build(Builder *self, const PhysNode *node, const Chain *chain, PipelineList *feeders,
                    Error *err);

static Status list_add(Arena *arena, PipelineList *list, Pipeline *pipeline, Error *err) {
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? list->capacity * 2 : 4;
        Pipeline **items;
        TRY_ALLOC(items, ARENA_ARRAY(arena, Pipeline *, capacity), err);
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = pipeline;
    return TRIB_OK;
}

/* `later` starts only after `first` has ended. */
static Status pipeline_after(Arena *arena, Pipeline *later, Pipeline *first, Error *err) {
    TRY(list_add(arena, &first->dependents, later, err));
    atomic_fetch_add(&later->waits, 1);
    return TRIB_OK;
}

static Status pipeline_after_sink(Arena *arena, Pipeline *later, Sink *sink, Error *err) {
    TRY(list_add(arena, &sink->dependents, later, err));
    atomic_fetch_add(&later->waits, 1);
    return TRIB_OK;
}

static Status sink_new(Builder *self, const PhysNode *node, Sink **out, Error *err) {
    Execution *e = self->execution;
    Sink *sink;
    TRY_ALLOC(sink, ARENA_NEW(e->arena, Sink), err);
    sink->execution = e;
    sink->node = node;
    e->sinks[e->nsinks++] = sink; /* room for one per node */
    *out = sink;
    return TRIB_OK;
}

static Status add_pipeline(Builder *self, const PhysNode *source, const Chain *chain, bool tail,
                           Pipeline **out, Error *err) {
    Execution *e = self->execution;
    Pipeline *p;
    TRY_ALLOC(p, ARENA_NEW(e->arena, Pipeline), err);
    p->execution = e;
    p->source = source;
    p->nstages = chain->count;
    TRY_ALLOC(p->stages, ARENA_ARRAY(e->arena, const PhysNode *, chain->count), err);
    if (chain->count) memcpy(p->stages, chain->stages, chain->count * sizeof *p->stages);
    p->sink = chain->sink;
    p->tail = tail;
    atomic_fetch_add(&chain->sink->feeders, 1);
    atomic_init(&p->waits, 1); /* released when the execution starts */
    TRY(list_add(e->arena, &e->pipelines, p, err));
    *out = p;
    return TRIB_OK;
}

static Status chain_prepend(Arena *arena, const PhysNode *node, const Chain *chain, Chain *out,
                            Error *err) {
    const PhysNode **stages;
    TRY_ALLOC(stages, ARENA_ARRAY(arena, const PhysNode *, chain->count + 1), err);
    stages[0] = node;
    if (chain->count) memcpy(stages + 1, chain->stages, chain->count * sizeof *stages);
    *out = (Chain){chain->count + 1, stages, chain->sink};
    return TRIB_OK;
}

/* A transform: its child flows through it into the chain, and after that its own tail, if it has one.
 * `built` is the sink that must have finished first (a join's build side), or NULL. */
static Status build_transform(Builder *self, const PhysNode *node, Sink *built, const Chain *chain,
                              PipelineList *feeders, Error *err) {
    Arena *arena = self->execution->arena;
    Chain longer;
    TRY(chain_prepend(arena, node, chain, &longer, err));
    PipelineList inputs = {0};
    TRY(build(self, node->children[0], &longer, &inputs, err));
    for (uint32_t i = 0; i < inputs.count; i++) {
        if (built) TRY(pipeline_after_sink(arena, inputs.items[i], built, err));
        TRY(list_add(arena, feeders, inputs.items[i], err));
    }
    if (!operator_of(node->kind)->has_tail) return TRIB_OK;
    Pipeline *tail;
    TRY(add_pipeline(self, node, chain, true, &tail, err));
    for (uint32_t i = 0; i < inputs.count; i++)
        TRY(pipeline_after(arena, tail, inputs.items[i], err));
    return list_add(arena, feeders, tail, err);
}

static Status build_join(Builder *self, const PhysNode *node, const Chain *chain,
                         PipelineList *feeders, Error *err) {
    Sink *sink;
    TRY(sink_new(self, node, &sink, err));
    Chain build_chain = {0, NULL, sink};
    PipelineList builders = {0};
    TRY(build(self, node->children[1], &build_chain, &builders, err));
    return build_transform(self, node, sink, chain, feeders, err);
}

/* The sink of a shared plan, or of a join; NULL: it belongs to the execution around this one, and is finished. */
static Sink *shared_sink(const Execution *execution, const PhysNode *shared) {
    for (uint32_t i = 0; i < execution->nsinks; i++) {
        if (execution->sinks[i]->node == shared) return execution->sinks[i];
    }
    return NULL;
}

/* `later` starts only when the shared plans that its source reads are complete. The step of a recursive
 * query reads some too. */
static Status pipeline_after_shared(Builder *self, Pipeline *later, const PhysNode *node,
                                    Error *err) {
    if (node->kind == PHYS_SHARED_READ) {
        Sink *sink = shared_sink(self->execution, node->as.read.from);
        if (sink) TRY(pipeline_after_sink(self->execution->arena, later, sink, err));
    }
    if (node->kind != PHYS_RECURSIVE) return TRIB_OK;
    const PhysicalPlan *step = node->as.recursive.step;
    for (uint32_t i = 0; i < step->nnodes; i++)
        TRY(pipeline_after_shared(self, later, step->nodes[i], err));
    return TRIB_OK;
}

static Status build_breaker(Builder *self, const PhysNode *node, const Chain *chain,
                            PipelineList *feeders, Error *err) {
    Sink *sink;
    TRY(sink_new(self, node, &sink, err));
    Chain below = {0, NULL, sink};
    PipelineList inputs = {0};
    TRY(build(self, node->children[0], &below, &inputs, err));
    Pipeline *p;
    TRY(add_pipeline(self, node, chain, false, &p, err));
    TRY(pipeline_after_sink(self->execution->arena, p, sink, err));
    TRY(pipeline_after_shared(self, p, node, err));
    return list_add(self->execution->arena, feeders, p, err);
}

static Status build_union(Builder *self, const PhysNode *node, const Chain *chain,
                          PipelineList *feeders, Error *err) {
    Arena *arena = self->execution->arena;
    PipelineList before = {0};
    for (uint32_t c = 0; c < node->nchildren; c++) {
        PipelineList inputs = {0};
        TRY(build(self, node->children[c], chain, &inputs, err));
        for (uint32_t i = 0; i < inputs.count; i++) {
            TRY(list_add(arena, feeders, inputs.items[i], err));
            for (uint32_t k = 0; node->as.all.sequential && k < before.count; k++)
                TRY(pipeline_after(arena, inputs.items[i], before.items[k], err));
        }
        before = inputs;
    }
    return TRIB_OK;
}

/* Adds the pipelines that push the rows of `node` into `chain`; they are appended to `feeders`. */
static Status build(Builder *self, const PhysNode *node, const Chain *chain, PipelineList *feeders,
                    Error *err) {
    const Operator *op = operator_of(node->kind);
    if (node->kind == PHYS_HASH_JOIN) return build_join(self, node, chain, feeders, err);
    if (node->kind == PHYS_UNION) return build_union(self, node, chain, feeders, err);
    if (op->consume && op->produce) return build_breaker(self, node, chain, feeders, err);
    if (op->process) return build_transform(self, node, NULL, chain, feeders, err);
    Pipeline *p;
    TRY(add_pipeline(self, node, chain, false, &p, err));
    TRY(pipeline_after_shared(self, p, node, err));
    for (const PhysWait *w = node->kind == PHYS_SCAN ? node->as.scan.waits : NULL; w; w = w->next) {
        Sink *sink = shared_sink(self->execution, w->join);
        if (sink) TRY(pipeline_after_sink(self->execution->arena, p, sink, err));
    }
    return list_add(self->execution->arena, feeders, p, err);
}

Status pipelines_build(Execution *execution, Error *err) {
    Builder builder = {.execution = execution};
    const PhysNode *root = execution->plan->root;
    TRY_ALLOC(execution->sinks, ARENA_ARRAY(execution->arena, Sink *, execution->plan->nnodes),
              err);
    Sink *sink;
    for (uint32_t i = 0; i < execution->plan->nshared; i++) {
        const PhysNode *shared = execution->plan->shared[i];
        PipelineList writers = {0};
        TRY(sink_new(&builder, shared, &sink, err));
        Chain into = {0, NULL, sink};
        TRY(build(&builder, shared->children[0], &into, &writers, err));
    }
    TRY(sink_new(&builder, root, &sink, err));
    Chain chain = {0, NULL, sink};
    PipelineList feeders = {0};
    return build(&builder, root->children[0], &chain, &feeders, err);
}

/* ---------------------------------------------------------------- tasks: opening and closing */

static Status context_open(PipelineTask *self, uint32_t index, const PhysNode *node, OpRole role,
                           Error *err) {
    const Operator *op = operator_of(node->kind);
    OpContext *c = &self->contexts[index];
    Query *query = &(self->pipeline ? self->pipeline->execution : self->sink->execution)->query;
    *c = (OpContext){.node = node,
                     .role = role,
                     .query = query,
                     .shared = query->shared[node->id],
                     .worker = self->worker,
                     .workers = self->pipeline ? self->pipeline->ntasks : self->sink->nfinish_tasks,
                     .waker = &self->waker,
                     .arena = self->arena};
    TRY_ALLOC(c->local, arena_alloc(self->arena, op->local_size), err);
    self->nopen = index + 1;
    return op->local_open ? op->local_open(c, err) : TRIB_OK;
}

static Status task_open(PipelineTask *self, Error *err) {
    Pipeline *p = self->pipeline;
    uint32_t n = p->nstages + 2;
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    TRY_ALLOC(self->contexts, ARENA_ARRAY(self->arena, OpContext, n), err);
    TRY_ALLOC(self->batches, ARENA_ARRAY(self->arena, Batch, n), err);
    TRY_ALLOC(self->pending, ARENA_ARRAY(self->arena, bool, n), err);
    for (uint32_t i = 0; i + 1 < n; i++) {
        Arena *arena;
        TRY_ALLOC(arena, arena_new(self->arena), err);
        batch_init(&self->batches[i], arena);
    }
    TRY(context_open(self, 0, p->source, ROLE_SOURCE, err));
    for (uint32_t i = 0; i < p->nstages; i++)
        TRY(context_open(self, i + 1, p->stages[i], ROLE_TRANSFORM, err));
    return context_open(self, n - 1, p->sink->node, ROLE_SINK, err);
}

void pipeline_task_close(PipelineTask *self) {
    if (!self->arena) return;
    if (self->batches && self->pipeline) {
        for (uint32_t i = self->pipeline->nstages + 1; i-- > 0;) {
            if (self->batches[i].arena) batch_clear(&self->batches[i]);
        }
    }
    while (self->nopen > 0) {
        OpContext *c = &self->contexts[--self->nopen];
        const Operator *op = operator_of(c->node->kind);
        if (op->local_close) op->local_close(c);
    }
    arena_free(self->arena);
    self->arena = NULL;
}

/* ---------------------------------------------------------------- tasks: the flow of batches */

static void count_output(PipelineTask *self, uint32_t index) {
    NodeCounters *counters = &self->contexts[index].query->counters[self->contexts[index].node->id];
    atomic_fetch_add_explicit(&counters->rows, self->batches[index].selected, memory_order_relaxed);
    atomic_fetch_add_explicit(&counters->batches, 1, memory_order_relaxed);
}

static void count_time(OpContext *context, int64_t begun) {
    NodeCounters *counters = &context->query->counters[context->node->id];
    atomic_fetch_add_explicit(&counters->busy_ns, os_now_ns() - begun, memory_order_relaxed);
}

/* The batch at `level` has been consumed: clears it and goes back to the deepest stage with more to give. */
static void flow_back(PipelineTask *self) {
    while (self->level > 0) {
        uint32_t producer = self->level - 1;
        batch_clear(&self->batches[producer]);
        if (producer > 0 && self->pending[producer]) {
            self->level = producer; /* ask that transform again with the same input */
            return;
        }
        self->level = producer;
    }
}

static Status flow_source(PipelineTask *self, Step *step, Error *err) {
    OpContext *c = &self->contexts[0];
    batch_clear(&self->batches[0]);
    TRY(operator_of(c->node->kind)->produce(c, &self->batches[0], step, err));
    if (*step == STEP_HAVE_OUTPUT) {
        count_output(self, 0);
        if (self->batches[0].selected > 0) self->level = 1;
        *step = STEP_NEED_INPUT;
    }
    return TRIB_OK;
}

static Status flow_transform(PipelineTask *self, Step *step, Error *err) {
    uint32_t i = self->level;
    OpContext *c = &self->contexts[i];
    batch_clear(&self->batches[i]);
    TRY(operator_of(c->node->kind)
            ->process(c, &self->batches[i - 1], &self->batches[i], step, err));
    switch (*step) {
    case STEP_HAVE_OUTPUT:
    case STEP_LAST_OUTPUT:
        self->pending[i] = *step == STEP_HAVE_OUTPUT;
        count_output(self, i);
        *step = STEP_NEED_INPUT;
        if (self->batches[i].selected > 0) {
            self->level = i + 1;
        } else if (!self->pending[i]) {
            flow_back(self);
        }
        break;
    case STEP_NEED_INPUT:
        self->pending[i] = false;
        flow_back(self);
        break;
    case STEP_FINISHED: break;
    case STEP_BLOCKED: break;
    }
    return TRIB_OK;
}

static Status flow_sink(PipelineTask *self, Step *step, Error *err) {
    OpContext *c = &self->contexts[self->level];
    TRY(operator_of(c->node->kind)->consume(c, &self->batches[self->level - 1], step, err));
    if (*step != STEP_NEED_INPUT) return TRIB_OK;
    if (c->node->kind == PHYS_RESULT)
        atomic_fetch_add_explicit(&c->query->counters[c->node->id].rows,
                                  self->batches[self->level - 1].selected, memory_order_relaxed);
    flow_back(self);
    return TRIB_OK;
}

static Status flow_step(PipelineTask *self, Step *step, Error *err) {
    uint32_t sink = self->pipeline->nstages + 1;
    OpContext *worker = &self->contexts[self->level];
    int64_t begun = os_now_ns();
    Status status = self->level == 0     ? flow_source(self, step, err)
                    : self->level < sink ? flow_transform(self, step, err)
                                         : flow_sink(self, step, err);
    count_time(worker, begun);
    return status;
}

/* Pushes batches until blocked, done or the slice is over. *step: BLOCKED, FINISHED, NEED_INPUT = yield. */
static Status flow_run(PipelineTask *self, Step *step, Error *err) {
    Execution *e = self->pipeline->execution;
    int64_t until = os_now_ns() + SLICE_NS;
    for (uint32_t n = 1;; n++) {
        if (atomic_load_explicit(&e->failed, memory_order_relaxed)) {
            *step = STEP_FINISHED;
            return TRIB_OK;
        }
        TRY(cancel_check(e->query.cancel, err));
        TRY(flow_step(self, step, err));
        if (*step == STEP_BLOCKED || *step == STEP_FINISHED) return TRIB_OK;
        if (n % SLICE_CHECK == 0 && os_now_ns() > until) return TRIB_OK;
    }
}

static Status task_combine(PipelineTask *self, Error *err) {
    OpContext *c = &self->contexts[self->pipeline->nstages + 1];
    const Operator *op = operator_of(c->node->kind);
    if (!op->combine) return TRIB_OK;
    int64_t begun = os_now_ns();
    Status status = op->combine(c, err);
    count_time(c, begun);
    return status;
}

/* One slice of a pipeline's task. */
static Status task_step(PipelineTask *self, Step *step, Error *err) {
    if (self->phase == PHASE_OPEN) {
        TRY(task_open(self, err));
        self->phase = PHASE_RUN;
    }
    if (self->phase == PHASE_RUN) {
        TRY(flow_run(self, step, err));
        if (*step != STEP_FINISHED) return TRIB_OK;
        self->phase = PHASE_COMBINE;
    }
    if (self->phase == PHASE_COMBINE) {
        if (!atomic_load(&self->pipeline->execution->failed)) TRY(task_combine(self, err));
        self->phase = PHASE_END;
    }
    *step = STEP_FINISHED;
    return TRIB_OK;
}

static Status finish_step(PipelineTask *self, Step *step, Error *err) {
    Execution *e = self->sink->execution;
    const Operator *op = operator_of(self->sink->node->kind);
    *step = STEP_FINISHED;
    if (atomic_load(&e->failed)) return TRIB_OK;
    TRY(cancel_check(e->query.cancel, err));
    if (!self->arena) {
        TRY_ALLOC(self->arena, arena_new(NULL), err);
        TRY_ALLOC(self->contexts, ARENA_ARRAY(self->arena, OpContext, 1), err);
        TRY(context_open(self, 0, self->sink->node, ROLE_SINK, err));
    }
    if (!op->finish) return TRIB_OK;
    int64_t begun = os_now_ns();
    Status status = op->finish(&self->contexts[0], step, err);
    count_time(&self->contexts[0], begun);
    return status;
}

/* May the task end? Not while the application reads a batch that this task put up. */
static bool task_may_end(PipelineTask *self) {
    Pipeline *p = self->pipeline;
    if (!p || p->sink->node->kind != PHYS_RESULT || self->nopen != p->nstages + 2) return true;
    OpContext *sink = &self->contexts[p->nstages + 1];
    return result_slot_withdraw(sink->shared, sink->local);
}

TaskStep pipeline_task_run(Task *task) {
    PipelineTask *self = (PipelineTask *)task;
    Execution *e = self->pipeline ? self->pipeline->execution : self->sink->execution;
    Step step = STEP_FINISHED;
    Error err;
    error_clear(&err);
    Status status = self->pipeline ? task_step(self, &step, &err) : finish_step(self, &step, &err);
    if (status != TRIB_OK) {
        execution_fail(e, &err);
        step = STEP_FINISHED;
    }
    if (step == STEP_FINISHED) return task_may_end(self) ? TASK_DONE : TASK_BLOCKED;
    if (step == STEP_BLOCKED) {
        /* A failure between the look above and now would not wake us again. */
        return atomic_load(&e->failed) ? TASK_YIELD : TASK_BLOCKED;
    }
    return TASK_YIELD;
}

/* ---------------------------------------------------------------- ends and beginnings */

static void task_prepare(PipelineTask *self, Execution *e, uint32_t worker) {
    task_init(&self->task, pipeline_task_run, pipeline_task_done);
    self->task.inline_only = e->inline_run;
    self->worker = worker;
    self->waker = (Waker){task_wake_callback, &self->task};
}

static uint32_t pipeline_parallelism(const Pipeline *self) {
    const Operator *source = operator_of(self->source->kind);
    return source->source_ordered ? 1 : self->execution->query.workers;
}

void pipeline_arrive(Pipeline *self) {
    if (atomic_fetch_sub(&self->waits, 1) != 1) return;
    Execution *e = self->execution;
    if (atomic_load(&e->failed)) return;
    const Operator *source = operator_of(self->source->kind);
    bool idle_tail =
        self->tail && !source->has_tail(self->source, e->query.shared[self->source->id]);
    self->ntasks = idle_tail ? 0 : pipeline_parallelism(self);
    if (self->ntasks == 0) { /* nothing to do: ends at once */
        PipelineTask none = {.pipeline = self};
        atomic_store(&self->running, 1);
        atomic_fetch_add(&e->live, 1);
        pipeline_task_done(&none.task);
        return;
    }
    for (uint32_t i = 0; i < self->ntasks; i++) {
        self->tasks[i].pipeline = self;
        task_prepare(&self->tasks[i], e, i);
    }
    /* From the next store on a failure may wake the tasks: they must count as live by then. */
    atomic_fetch_add(&e->live, self->ntasks);
    atomic_store(&self->running, self->ntasks);
    for (uint32_t i = 0; i < self->ntasks; i++) task_wake(&self->tasks[i].task);
}

/* Counts one up unless it is 0: what it counts has not ended, and will not until this is undone. */
static bool count_up(_Atomic uint32_t *count) {
    uint32_t now = atomic_load(count);
    while (now > 0) {
        if (atomic_compare_exchange_weak(count, &now, now + 1)) return true;
    }
    return false;
}

void pipeline_reinforce(Pipeline *self) {
    Execution *e = self->execution;
    if (self->source->kind != PHYS_SCAN || self->sink->node->kind != PHYS_RESULT) return;
    if (atomic_load(&self->running) != 1 || atomic_exchange(&self->reinforced, true)) return;
    if (!count_up(&e->live)) return;
    if (!count_up(&self->running)) {
        execution_task_ended(e);
        return;
    }
    PipelineTask *task = &self->tasks[e->query.workers];
    task->pipeline = self;
    task_prepare(task, e, e->query.workers);
    atomic_store(&self->reserve_ready, true);
    task_wake(&task->task);
}

static void list_arrive(const PipelineList *list) {
    for (uint32_t i = 0; i < list->count; i++) pipeline_arrive(list->items[i]);
}

/* All pipelines of a sink have ended: its finish() runs, then whoever waited for it. */
static void sink_finish(Sink *self) {
    Execution *e = self->execution;
    const Operator *op = operator_of(self->node->kind);
    if (!op->finish) {
        list_arrive(&self->dependents);
        return;
    }
    uint32_t n = 1;
    if (op->finish_tasks) n = op->finish_tasks(self->node, e->query.shared[self->node->id]);
    if (n < 1) n = 1;
    if (n > e->query.workers) n = e->query.workers;
    self->nfinish_tasks = n;
    for (uint32_t i = 0; i < n; i++) {
        self->finish_tasks[i].sink = self;
        task_prepare(&self->finish_tasks[i], e, i);
    }
    atomic_fetch_add(&e->live, n);
    atomic_store(&self->finishing, n);
    for (uint32_t i = 0; i < n; i++) task_wake(&self->finish_tasks[i].task);
}

/* After a task's last slice, on its worker. The execution may be freed once the count of tasks drops. */
void pipeline_task_done(Task *task) {
    PipelineTask *self = (PipelineTask *)task;
    Pipeline *p = self->pipeline;
    Sink *sink = p ? p->sink : self->sink;
    Execution *e = sink->execution;
    pipeline_task_close(self);
    if (!atomic_load(&e->failed)) {
        if (p) {
            if (atomic_fetch_sub(&p->running, 1) == 1) {
                list_arrive(&p->dependents);
                if (atomic_fetch_sub(&sink->feeders, 1) == 1) sink_finish(sink);
            }
        } else if (atomic_fetch_sub(&sink->finishing, 1) == 1) {
            list_arrive(&sink->dependents);
        }
    }
    execution_task_ended(e);
}
