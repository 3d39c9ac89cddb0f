/*
 * op_sort.c - ORDER BY.
 *
 * Roles. Sink: each worker keeps rows in pages; when memory ends, they become a sorted run on disk;
 * at the end, each worker sorts what it has (combine). finish: runs on disk are merged until few
 * enough are left, runs in memory completely, by all workers. Source: one worker puts the rows out
 * in order.
 *
 * Memory: rows and 16 to 40 bytes per row for sorting, against the operator's grant; while merging
 * one page per run. Threads: SortShared's lists are guarded by its lock; everything else belongs to
 * one task, or is read-only after finish. See sort.h for the parts.
 */
#include "engine/exec/query_space.h"
#include "engine/exec/sort.h"

#define RUN_PAGE        (UINT32_C(32) * 1024)
#define RUN_PAGE_TIGHT  (UINT32_C(16) * 1024)
#define PAGE_FIRST      4096
#define PAGE_MAX_FORCED (UINT32_C(64) * 1024)
#define FAN_IN_LEAST    8
#define FAN_IN_MOST     512

typedef struct SortLocal {
    SortWorker *worker;
    SortInput input;
    SortSource *source;
} SortLocal;

static uint64_t sort_min_memory(const PhysNode *node, uint32_t workers) {
    (void)node;
    return (UINT64_C(1) << 20) + (UINT64_C(256) << 10) * workers;
}

Status sort_open(const PhysNode *node, Query *query, void *shared, uint32_t nkeys,
                 const PhysSortKey *keys, int64_t limit, int64_t offset, Error *err) {
    SortShared *self = shared;
    self->node = node;
    self->query = query;
    self->limit = limit;
    self->offset = offset;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    const PhysNode *child = node->children[0];
    TRY(sort_spec_make(query->arena, child->ncolumns, child->types, nkeys, keys, self->dying,
                       &self->spec, err));
    TRY_ALLOC(self->may_null, ARENA_ARRAY(query->arena, bool, child->ncolumns + 1), err);
    int64_t minimum = (int64_t)sort_min_memory(node, query->workers);
    bool tight = query->force_spill || budget_limit(query->budget) < 16 * minimum;
    uint32_t run_page = tight ? RUN_PAGE_TIGHT : RUN_PAGE;
    uint32_t page_max =
        query->force_spill ? PAGE_MAX_FORCED : row_page_max(query->budget, query->workers, 1);
    TRY(query_space_open(query, node, minimum, PAGE_FIRST, page_max, "for a sort", &self->grant,
                         &self->space, err));
    self->run_space = self->space;
    self->run_space.page_first = self->run_space.page_max = run_page;
    int64_t room = budget_limit(query->budget) / 4;
    if (tight || room < minimum) room = minimum;
    int64_t fan_in = room / 2 / run_page;
    self->fan_in = fan_in < FAN_IN_LEAST  ? FAN_IN_LEAST
                   : fan_in > FAN_IN_MOST ? FAN_IN_MOST
                                          : (uint32_t)fan_in;
    return TRIB_OK;
}

void sort_close(void *shared) {
    SortShared *self = shared;
    for (uint32_t r = 0; r < self->nruns; r++) sort_run_clear(self, &self->runs[r]);
    heap_free(self->runs);
    heap_free(self->part_from);
    block_free(&self->grant, &self->merged);
    row_store_clear(&self->writer);
    for (SortWorker *worker = self->workers, *next; worker; worker = next) {
        next = worker->next;
        row_store_clear(&worker->store);
        row_store_clear(&worker->writer);
        heap_free(worker);
    }
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
}

static Status sort_node_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    return sort_open(node, query, shared, node->as.sort.nkeys, node->as.sort.keys, -1, 0, err);
}

static Status sort_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    SortLocal *self = context->local;
    SortShared *shared = context->shared;
    *step = STEP_NEED_INPUT;
    if (in->selected == 0) return TRIB_OK;
    TRY(cancel_check(context->query->cancel, err));
    if (!self->worker) {
        TRY(sort_input_new(shared, context->arena, &self->input, err));
        TRY(sort_worker_new(shared, &self->worker, err));
    }
    return sort_worker_append(shared, self->worker, &self->input, in, in->selection, in->selected,
                              err);
}

static Status sort_combine(OpContext *context, Error *err) {
    SortLocal *self = context->local;
    SortShared *shared = context->shared;
    if (!self->worker) return TRIB_OK;
    pthread_mutex_lock(&shared->lock);
    for (uint32_t c = 0; c < shared->spec.layout->ncolumns; c++)
        shared->may_null[c] |= self->worker->store.may_null[c];
    pthread_mutex_unlock(&shared->lock);
    return sort_worker_run(shared, self->worker, true, err);
}

static uint32_t sort_finish_tasks(const PhysNode *node, void *shared) {
    (void)node;
    SortShared *self = shared;
    return self->nruns > 1 ? self->query->workers : 1;
}

static Status sort_put(OpContext *context, Batch *out, Step *step, Error *err) {
    SortLocal *self = context->local;
    return sort_produce(context, &self->source, out, step, err);
}

static void sort_local_close(OpContext *context) {
    SortLocal *self = context->local;
    sort_source_free(self->source);
    self->source = NULL;
}

const Operator op_sort = {
    .name = "sort",
    .shared_size = sizeof(SortShared),
    .local_size = sizeof(SortLocal),
    .min_memory = sort_min_memory,
    .open = sort_node_open,
    .close = sort_close,
    .local_close = sort_local_close,
    .consume = sort_consume,
    .combine = sort_combine,
    .finish = sort_finish,
    .finish_tasks = sort_finish_tasks,
    .produce = sort_put,
    .source_ordered = true,
};
