/*
 * op_aggregate.c - GROUP BY, DISTINCT and aggregates over everything.
 *
 * Phases. Sink: each worker keeps rows (keys and states) in radix partitions of its own and finds
 * them through a table. While memory abounds and groups come again the table grows, and each group
 * has one row. Else it stays small enough for the caches, and is emptied when it is full: its rows
 * stay, and later input makes new rows for the same groups. Where hardly any row finds its group the
 * table is left aside for a while and rows are appended as they come. finish: the
 * workers' partitions become jobs. Source: workers take a job, merge its rows (aggregate_merge.c)
 * and put its groups out.
 *
 * Few groups: rows of a batch are sorted by group, and each aggregate runs once per group over a
 * selection, which keeps its state in registers. No groups: one state per worker.
 *
 * Memory: rows, table and what states point to are charged to the operator's grant. When it
 * refuses, a worker writes partitions to disk, all workers the same ones first, until half of its
 * memory is free; those that are left are merged without touching the disk.
 *
 * Order: none. Threads: AggShared is guarded by its lock after open; each AggWorker belongs to one
 * task.
 */
#include "engine/exec/aggregate.h"
#include "engine/exec/query_space.h"

#define TABLE_BITS_FIRST 13 /* slots at first: room for a batch of new groups */
#define TABLE_BITS_CACHE 18 /* 2 MiB of slots: stays in the caches */
/* Groups that the first table may hold before it is judged. */
#define TRY_GROUPS      (UINT64_C(1) << 18)
#define TABLE_BITS_LAST 23                  /* where memory abounds and groups come again */
#define TABLE_SHARE     16                  /* ... a part of the limit, for all tables */
#define SMALL_GROUPS    16                  /* up to here a batch is sorted by group */
#define SMALL_BATCH     256                 /* ... if it has that many rows */
#define WORTHWHILE      2                   /* rows per group below which the table is abandoned */
#define ABANDON_ROWS    (UINT64_C(1) << 20) /* ... for so many rows, at first */
#define ABANDON_DOUBLED 4                   /* ... and so many times twice as many */
/* Rows per group, in 64ths, above which a full table grows beyond the caches: groups do come
 * again. With fewer it would take a table of more than TABLE_BITS_LAST before enough do. */
#define COMING_AGAIN    65
#define PAGE_FIRST      4096
#define PAGE_MAX_FORCED (UINT32_C(16) * 1024)
#define BITS            6
#define BITS_FORCED     4
#define ARENA_COMPACT \
    (INT64_C(1) << 20) /* what a single state's leftovers may take before they are thrown away */

struct AggWorker {
    AggWorker *next;
    RowStore store, packed;
    bool has_packed;
    GroupTable table;
    Arena *arena;    /* what states point to */
    int64_t charged; /* of the arena */
    uint8_t *single;
    bool cleared;       /* a group may stand in several rows */
    uint64_t rows;      /* since the table was emptied */
    uint64_t abandoned; /* rows still to be appended without looking */
    uint32_t abandonments;
    uint64_t seen; /* all rows */
};

typedef struct AggLocal {
    AggWorker *worker;
    Evaluator *evaluator;
    Arena *arena; /* of the batch */
    ProbeScratch scratch;
    FlatColumn *keys;
    bool *may_null;
    uint8_t **all; /* states of rows that all go to one */
    AggPacker packer;
    bool packer_made;
    AggSource *source;
    /* Few groups. */
    bool small;
    uint32_t nsmall;
    uint8_t ids[1 << TABLE_BITS_FIRST]; /* by slot */
    uint8_t *small_rows[SMALL_GROUPS];
    uint32_t small_counts[SMALL_GROUPS];
    uint16_t small_lists[SMALL_GROUPS][BATCH_ROWS + 1];
} AggLocal;

/* ---------------------------------------------------------------- opening */

static uint64_t aggregate_min_memory(const PhysNode *node, uint32_t workers) {
    (void)node;
    return (UINT64_C(1) << 20) + (UINT64_C(256) << 10) * workers;
}

/* The index of an expression in the evaluators' list; equal ones are computed once. */
static uint32_t expr_index(AggShared *self, const Expr *e) {
    for (uint32_t i = self->ngroups; i < self->nexprs; i++)
        if (self->exprs[i] == e || (!e->is_volatile && expr_equal(self->exprs[i], e))) return i;
    self->exprs[self->nexprs] = e;
    return self->nexprs++;
}

static Status exprs_collect(AggShared *self, Arena *arena, Error *err) {
    const PhysNode *node = self->node;
    uint32_t n = self->ngroups;
    for (uint32_t a = 0; a < self->nstates; a++) n += node->as.aggregate.aggregates[a].nargs + 1;
    TRY_ALLOC(self->exprs, ARENA_ARRAY(arena, const Expr *, n ? n : 1), err);
    for (uint32_t g = 0; g < self->ngroups; g++) self->exprs[g] = node->as.aggregate.groups[g];
    self->nexprs = self->ngroups;
    for (uint32_t a = 0; a < self->nstates; a++) {
        const PhysAggregate *from = &node->as.aggregate.aggregates[a];
        AggState *to = &self->states[a];
        uint32_t *args;
        Type *types;
        TRY_ALLOC(args, ARENA_ARRAY(arena, uint32_t, from->nargs ? from->nargs : 1), err);
        TRY_ALLOC(types, ARENA_ARRAY(arena, Type, from->nargs ? from->nargs : 1), err);
        for (uint32_t i = 0; i < from->nargs; i++) {
            args[i] = expr_index(self, from->args[i]);
            types[i] = from->args[i]->type;
        }
        to->args = args;
        to->types = types;
        to->nargs = from->nargs;
        to->filter = from->filter ? expr_index(self, from->filter) : NO_EXPR;
    }
    return TRIB_OK;
}

/* Places the states; a size that is a multiple of 16 may hold something that wants that
 * alignment. */
static Status states_place(AggShared *self, Arena *arena, uint32_t *align, bool *raw, Error *err) {
    *align = 8;
    *raw = true;
    for (uint32_t a = 0; a < self->nstates; a++) {
        const PhysAggregate *from = &self->node->as.aggregate.aggregates[a];
        AggState *to = &self->states[a];
        to->aggregate = from->aggregate;
        to->call = from;
        to->result = from->result;
        if (from->aggregate->state_size % 16 == 0) {
            self->states_bytes = (self->states_bytes + 15) / 16 * 16;
            *align = 16;
        }
        to->offset = self->states_bytes;
        self->states_bytes += from->aggregate->state_size;
        *raw &= from->aggregate->spillable_raw;
    }
    TRY_ALLOC(self->initial, arena_alloc(arena, self->states_bytes), err);
    for (uint32_t a = 0; a < self->nstates; a++)
        self->states[a].aggregate->init(self->initial + self->states[a].offset,
                                        self->states[a].types, self->states[a].result);
    return TRIB_OK;
}

static Status layouts_make(AggShared *self, Arena *arena, Error *err) {
    uint32_t align;
    bool raw;
    TRY(states_place(self, arena, &align, &raw, err));
    Type *types;
    TRY_ALLOC(types, ARENA_ARRAY(arena, Type, self->ngroups + 1), err);
    for (uint32_t g = 0; g < self->ngroups; g++) types[g] = self->exprs[g]->type;
    TRY(row_layout_new(arena, self->ngroups, types, ROW_HASH_BYTES, self->states_bytes, align,
                       &self->layout, err));
    if (raw) return TRIB_OK;
    types[self->ngroups] = TYPE(VARBINARY);
    return row_layout_new(arena, self->ngroups + 1, types, ROW_HASH_BYTES, 0, 8, &self->packed,
                          err);
}

static Status aggregate_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    AggShared *self = shared;
    self->node = node;
    self->query = query;
    self->ngroups = node->as.aggregate.ngroups;
    self->nstates = node->as.aggregate.naggregates;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    TRY_ALLOC(self->states, ARENA_ARRAY(query->arena, AggState, self->nstates ? self->nstates : 1),
              err);
    TRY_ALLOC(self->may_null, ARENA_ARRAY(query->arena, bool, self->ngroups + 1), err);
    TRY(exprs_collect(self, query->arena, err));
    TRY(layouts_make(self, query->arena, err));
    int64_t minimum = (int64_t)aggregate_min_memory(node, query->workers);
    bool tight = query->force_spill || budget_limit(query->budget) < 16 * minimum;
    self->bits = tight ? BITS_FORCED : BITS;
    atomic_init(&self->kept, 1u << self->bits);
    uint32_t page_max = query->force_spill
                            ? PAGE_MAX_FORCED
                            : row_page_max(query->budget, query->workers, 1u << self->bits);
    TRY(query_space_open(query, node, minimum, PAGE_FIRST, page_max, "for an aggregation",
                         &self->grant, &self->space, err));
    if (self->ngroups > 0) return TRIB_OK;
    TRY_ALLOC(self->single, arena_alloc(query->arena, self->states_bytes), err);
    memcpy(self->single, self->initial, self->states_bytes);
    TRY_ALLOC(self->single_arena, arena_new(NULL), err);
    return TRIB_OK;
}

static void worker_free(AggWorker *self) {
    group_table_clear(&self->table);
    row_store_clear(&self->store);
    row_store_clear(&self->packed);
    arena_free(self->arena);
    heap_free(self);
}

static void aggregate_close(void *shared) {
    AggShared *self = shared;
    for (uint32_t j = 0; j < self->njobs; j++) {
        page_list_clear(&self->jobs[j].pages, &self->space);
        page_list_clear(&self->jobs[j].packed, &self->space);
    }
    heap_free(self->jobs);
    for (AggWorker *worker = self->workers, *next; worker; worker = next) {
        next = worker->next;
        worker_free(worker);
    }
    spill_files_free(&self->files);
    arena_free(self->single_arena);
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
}

/* Registers a worker at once, so that whatever fails later it is freed at the end. */
static Status worker_new(AggShared *shared, AggWorker **out, Error *err) {
    AggWorker *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    pthread_mutex_lock(&shared->lock);
    self->next = shared->workers;
    shared->workers = self;
    pthread_mutex_unlock(&shared->lock);
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    if (shared->ngroups == 0) {
        TRY_ALLOC(self->single, arena_alloc(self->arena, shared->states_bytes), err);
        memcpy(self->single, shared->initial, shared->states_bytes);
    } else {
        TRY(row_store_init(&self->store, shared->layout, &shared->space, RADIX_TOP, shared->bits,
                           err));
        TRY(group_table_init(&self->table, &shared->grant, TABLE_BITS_FIRST, true, err));
    }
    *out = self;
    return TRIB_OK;
}

static Status local_begin(OpContext *context, Error *err) {
    AggLocal *self = context->local;
    AggShared *shared = context->shared;
    TRY(evaluator_new(context->arena, context->query->session, shared->nexprs, shared->exprs,
                      &self->evaluator, err));
    TRY_ALLOC(self->arena, arena_new(context->arena), err);
    TRY_ALLOC(self->keys, ARENA_ARRAY(context->arena, FlatColumn, shared->ngroups + 1), err);
    TRY_ALLOC(self->may_null, ARENA_ARRAY(context->arena, bool, shared->ngroups + 1), err);
    TRY_ALLOC(self->all, ARENA_ARRAY(context->arena, uint8_t *, BATCH_ROWS), err);
    TRY(probe_scratch_new(context->arena, &self->scratch, err));
    self->small = true;
    return worker_new(shared, &self->worker, err);
}

static void aggregate_local_close(OpContext *context) {
    AggLocal *self = context->local;
    agg_source_free(self->source);
    self->source = NULL;
}

/* ---------------------------------------------------------------- memory */

/* Charges what the states' arena has grown by; false: the grant refuses (the bytes are counted
 * all the same). */
static bool arena_charge(AggShared *shared, AggWorker *worker) {
    int64_t grown = (int64_t)arena_bytes(worker->arena) - worker->charged;
    if (grown <= 0) {
        grant_shrink(&shared->grant, -grown);
        worker->charged += grown;
        return true;
    }
    worker->charged += grown;
    if (grant_try(&shared->grant, grown)) return true;
    grant_force(&shared->grant, grown);
    return false;
}

static Status table_restart(AggLocal *self, AggShared *shared, Error *err) {
    AggWorker *worker = self->worker;
    if (worker->seen > 0) worker->cleared = true;
    worker->rows = 0;
    self->small = true;
    self->nsmall = 0;
    group_table_clear(&worker->table);
    return group_table_init(&worker->table, &shared->grant, TABLE_BITS_FIRST, true, err);
}

/* States with pointers: one partition's rows go to disk packed. */
static Status partition_pack(AggLocal *self, AggShared *shared, uint32_t p, Error *err) {
    AggWorker *worker = self->worker;
    PageList *list = &worker->store.lists[p];
    uint8_t **rows = self->scratch.fresh_rows;
    for (uint32_t i = 0; i < list->count; i++) {
        const RowPage *page = &list->pages[i];
        for (uint32_t from = 0; from < page->rows; from += BATCH_ROWS) {
            uint32_t count = page_rows(page, shared->layout, from, rows);
            TRY(agg_pack_rows(&self->packer, shared, rows, count, &worker->packed, err));
        }
    }
    page_list_clear(list, &shared->space);
    return row_store_spill(&worker->packed, p, err);
}

static Status worker_pack(AggLocal *self, AggShared *shared, Arena *arena, Error *err) {
    AggWorker *worker = self->worker;
    if (!worker->has_packed) {
        TRY(row_store_init(&worker->packed, shared->packed, &shared->space, RADIX_TOP, shared->bits,
                           err));
        worker->has_packed = true;
    }
    if (!self->packer_made) {
        TRY(agg_packer_new(shared, self->scratch.identity, arena, &self->packer, err));
        self->packer_made = true;
    }
    row_store_sync(&worker->store);
    for (uint32_t p = 0; p < worker->store.npartitions; p++) {
        TRY(partition_pack(self, shared, p, err));
        row_store_restart(&worker->store, p);
    }
    arena_free(worker->arena);
    grant_shrink(&shared->grant, worker->charged);
    worker->charged = 0;
    worker->packed.pressure = false;
    TRY_ALLOC(worker->arena, arena_new(NULL), err);
    return TRIB_OK;
}

/* Frees memory: the partitions that are being spilled already, then further ones from the last
 * down. */
static Status worker_relieve(AggLocal *self, AggShared *shared, Arena *arena, Error *err) {
    AggWorker *worker = self->worker;
    TRY(table_restart(self, shared, err));
    worker->store.pressure = false;
    if (!agg_states_raw(shared)) return worker_pack(self, shared, arena, err);
    uint64_t before = row_store_memory(&worker->store);
    for (uint32_t p = worker->store.npartitions; p-- > 0;) {
        uint32_t kept = atomic_load_explicit(&shared->kept, memory_order_relaxed);
        if (p < kept && row_store_memory(&worker->store) <= before / 2) break;
        while (p < kept && !atomic_compare_exchange_weak(&shared->kept, &kept, p)) continue;
        TRY(row_store_spill(&worker->store, p, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- updating states */

static Status args_evaluate(AggLocal *self, const AggState *state, const Batch *in, Vector *args,
                            Error *err) {
    for (uint32_t i = 0; i < state->nargs; i++)
        TRY(evaluator_run(self->evaluator, state->args[i], in, &args[i], err));
    return TRIB_OK;
}

/* The batch as the aggregate's FILTER leaves it, and the states of the rows that are left. */
static Status filter_rows(AggLocal *self, const AggState *state, const Batch *in,
                          uint8_t *const *rows, Batch *out, uint8_t ***out_rows, Error *err) {
    uint16_t *selection;
    TRY_ALLOC(selection, ARENA_ARRAY(self->arena, uint16_t, in->selected), err);
    *out = *in;
    TRY(evaluator_filter(self->evaluator, state->filter, in, selection, &out->selected, err));
    out->selection = selection;
    if (!rows) return TRIB_OK;
    TRY_ALLOC(*out_rows, ARENA_ARRAY(self->arena, uint8_t *, out->selected), err);
    for (uint32_t i = 0, j = 0; j < out->selected; i++)
        if (batch_row(in, i) == selection[j]) (*out_rows)[j++] = rows[i];
    return TRIB_OK;
}

static Status update_filtered(AggLocal *self, const AggShared *shared, const AggState *state,
                              const Batch *in, uint8_t *const *rows, Vector *args, Error *err) {
    Batch filtered;
    uint8_t **kept = NULL;
    TRY(filter_rows(self, state, in, rows, &filtered, &kept, err));
    if (filtered.selected == 0) return TRIB_OK;
    TRY(args_evaluate(self, state, &filtered, args, err));
    return state->aggregate->update(
        state->aggregate, state->nargs, args, filtered.selection, filtered.selected, kept,
        shared->layout->tail_offset + state->offset, self->worker->arena, err);
}

/* One call per group over the rows of the group. */
static Status update_small(AggLocal *self, const AggShared *shared, const AggState *state,
                           const Vector *args, Error *err) {
    uint32_t offset = shared->layout->tail_offset + state->offset;
    for (uint32_t g = 0; g < self->nsmall; g++) {
        if (self->small_counts[g] == 0) continue;
        TRY(state->aggregate->update_single(
            state->aggregate, state->nargs, args, self->small_lists[g], self->small_counts[g],
            self->small_rows[g] + offset, self->worker->arena, err));
    }
    return TRIB_OK;
}

static void small_sort(AggLocal *self, uint32_t count) {
    memset(self->small_counts, 0, sizeof self->small_counts);
    const uint64_t *slots = self->scratch.slots;
    const uint16_t *positions = self->scratch.positions;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t group = self->ids[slots[i]];
        self->small_lists[group][self->small_counts[group]++] = positions[i];
    }
}

/* rows: the row of each selected position. sorted: small_lists are filled. */
static Status states_update(AggLocal *self, const AggShared *shared, const Batch *in,
                            uint8_t *const *rows, bool sorted, Error *err) {
    for (uint32_t a = 0; a < shared->nstates; a++) {
        const AggState *state = &shared->states[a];
        Vector *args;
        TRY_ALLOC(args, ARENA_ARRAY(self->arena, Vector, state->nargs ? state->nargs : 1), err);
        Status status;
        if (state->filter != NO_EXPR) {
            status = update_filtered(self, shared, state, in, rows, args, err);
            TRY(agg_place(state, status, err));
            continue;
        }
        TRY(args_evaluate(self, state, in, args, err));
        if (sorted && state->aggregate->update_single) {
            status = update_small(self, shared, state, args, err);
        } else {
            status = state->aggregate->update(
                state->aggregate, state->nargs, args, in->selection, in->selected, rows,
                shared->layout->tail_offset + state->offset, self->worker->arena, err);
        }
        TRY(agg_place(state, status, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- consuming */

/* New groups of the batch: rows with their keys and initial states. */
static Status groups_make(void *context, const uint16_t *fresh, uint32_t count, Error *err) {
    OpContext *op = context;
    AggLocal *self = op->local;
    const AggShared *shared = op->shared;
    ProbeScratch *scratch = &self->scratch;
    for (uint32_t k = 0; k < count; k++) {
        scratch->fresh_positions[k] = scratch->positions[fresh[k]];
        scratch->fresh_hashes[k] = scratch->hashes[fresh[k]];
    }
    TRY(row_store_append(&self->worker->store, self->keys, scratch->fresh_positions, count,
                         scratch->fresh_hashes, scratch->fresh_rows, err));
    agg_states_init(shared, scratch->fresh_rows, count);
    for (uint32_t k = 0; k < count; k++) scratch->rows[fresh[k]] = scratch->fresh_rows[k];
    if (!self->small) return TRIB_OK;
    if (self->nsmall + count > SMALL_GROUPS) {
        self->small = false;
        return TRIB_OK;
    }
    for (uint32_t k = 0; k < count; k++) {
        self->small_rows[self->nsmall] = scratch->fresh_rows[k];
        self->ids[scratch->slots[fresh[k]]] = (uint8_t)self->nsmall++;
    }
    return TRIB_OK;
}

static bool groups_come_again(const AggWorker *self) {
    return self->rows * 64 >= self->table.count * COMING_AGAIN;
}

/* May a table that has outgrown the caches grow further? A row that finds its group in it costs a
 * few misses, which overlap; one that does not must be kept, and merged later. */
static bool table_may_grow(const AggWorker *self, const AggShared *shared, uint64_t need) {
    if (need <= UINT64_C(1) << TABLE_BITS_CACHE) return true;
    uint64_t bytes = group_table_grown(&self->table) * sizeof(uint64_t);
    uint64_t share =
        (uint64_t)budget_limit(shared->query->budget) / TABLE_SHARE / shared->query->workers;
    if (need > UINT64_C(1) << TABLE_BITS_LAST || bytes > share) return false;
    return groups_come_again(self) || (self->table.count <= TRY_GROUPS && !self->cleared);
}

/* The table is full: is it worth keeping one? */
static Status table_full(AggLocal *self, AggShared *shared, Error *err) {
    AggWorker *worker = self->worker;
    if (worker->rows < worker->table.count * WORTHWHILE) {
        worker->abandoned = ABANDON_ROWS << worker->abandonments;
        if (worker->abandonments < ABANDON_DOUBLED) worker->abandonments++;
    }
    worker->cleared = true;
    worker->rows = 0;
    if (worker->table.mask < UINT64_C(1) << TABLE_BITS_CACHE) {
        group_table_empty(&worker->table);
        return TRIB_OK;
    }
    group_table_clear(&worker->table);
    return group_table_init(&worker->table, &shared->grant, TABLE_BITS_FIRST, true, err);
}

static Status table_reserve(AggLocal *self, AggShared *shared, uint32_t count, Error *err) {
    AggWorker *worker = self->worker;
    uint64_t need = (worker->table.count + count) * 2;
    bool hopeless = worker->table.count > TRY_GROUPS && !groups_come_again(worker);
    if (need <= worker->table.mask + 1 && !hopeless) return TRIB_OK;
    bool refused = hopeless || !table_may_grow(worker, shared, need);
    if (!refused) TRY(group_table_reserve(&worker->table, count, false, &refused, err));
    self->small = false;
    return refused ? table_full(self, shared, err) : TRIB_OK;
}

static Status keys_evaluate(OpContext *context, const Batch *in, Error *err) {
    AggLocal *self = context->local;
    const AggShared *shared = context->shared;
    for (uint32_t g = 0; g < shared->ngroups; g++) {
        Vector key;
        TRY(evaluator_run(self->evaluator, g, in, &key, err));
        vector_hash(&key, in->selection, in->selected, g > 0, self->scratch.hashes);
        TRY(row_flatten(&shared->layout->columns[g], &key, in->selection, in->selected, in->count,
                        self->arena, &self->keys[g], err));
        self->may_null[g] = self->keys[g].validity != NULL || self->worker->store.may_null[g];
    }
    self->scratch.positions = in->selection ? in->selection : self->scratch.identity;
    return TRIB_OK;
}

static Status consume_append(AggLocal *self, AggShared *shared, const Batch *in, Error *err) {
    AggWorker *worker = self->worker;
    TRY(row_store_append(&worker->store, self->keys, self->scratch.positions, in->selected,
                         self->scratch.hashes, self->scratch.rows, err));
    agg_states_init(shared, self->scratch.rows, in->selected);
    worker->abandoned -= in->selected < worker->abandoned ? in->selected : worker->abandoned;
    return states_update(self, shared, in, self->scratch.rows, false, err);
}

static Status consume_groups(OpContext *context, const Batch *in, Error *err) {
    AggLocal *self = context->local;
    AggShared *shared = context->shared;
    AggWorker *worker = self->worker;
    TRY(keys_evaluate(context, in, err));
    worker->seen += in->selected;
    if (worker->abandoned > 0) return consume_append(self, shared, in, err);
    TRY(table_reserve(self, shared, in->selected, err));
    if (worker->abandoned > 0) return consume_append(self, shared, in, err);
    worker->rows += in->selected;
    GroupKeys keys = {.layout = shared->layout,
                      .count = shared->ngroups,
                      .columns = self->keys,
                      .may_null = self->may_null};
    TRY(group_table_find(&worker->table, &keys, &self->scratch, in->selected, groups_make, context,
                         err));
    bool sorted = self->small && in->selected >= SMALL_BATCH;
    if (sorted) small_sort(self, in->selected);
    return states_update(self, shared, in, self->scratch.rows, sorted, err);
}

/* Throws away what replaced values of the single state have left in the arena. */
static Status single_compact(const AggShared *shared, AggWorker *worker, Error *err) {
    Arena *fresh;
    TRY_ALLOC(fresh, arena_new(NULL), err);
    StrView packed;
    uint8_t *from = worker->single - shared->layout->tail_offset;
    Status status = agg_states_pack(shared, &from, 1, worker->arena, &packed, err);
    uint8_t *single = arena_alloc(fresh, shared->states_bytes);
    uint8_t *to = single - shared->layout->tail_offset;
    if (status == TRIB_OK && !single) status = error_out_of_memory(err);
    if (status == TRIB_OK) status = agg_states_unpack(shared, &packed, 1, &to, fresh, err);
    if (status != TRIB_OK) {
        arena_free(fresh);
        return status;
    }
    arena_free(worker->arena);
    worker->arena = fresh;
    worker->single = single;
    return TRIB_OK;
}

static Status single_update(AggLocal *self, AggShared *shared, const AggState *state,
                            const Batch *in, Error *err) {
    AggWorker *worker = self->worker;
    const Aggregate *aggregate = state->aggregate;
    Vector *args;
    TRY_ALLOC(args, ARENA_ARRAY(self->arena, Vector, state->nargs ? state->nargs : 1), err);
    Batch rows = *in;
    if (state->filter != NO_EXPR) TRY(filter_rows(self, state, in, NULL, &rows, NULL, err));
    if (rows.selected == 0) return TRIB_OK;
    TRY(args_evaluate(self, state, &rows, args, err));
    if (aggregate->update_single)
        return aggregate->update_single(aggregate, state->nargs, args, rows.selection,
                                        rows.selected, worker->single + state->offset,
                                        worker->arena, err);
    for (uint32_t i = 0; i < rows.selected; i++) self->all[i] = worker->single;
    return aggregate->update(aggregate, state->nargs, args, rows.selection, rows.selected,
                             self->all, state->offset, worker->arena, err);
}

static Status consume_single(AggLocal *self, AggShared *shared, const Batch *in, Error *err) {
    AggWorker *worker = self->worker;
    for (uint32_t a = 0; a < shared->nstates; a++)
        TRY(agg_place(&shared->states[a], single_update(self, shared, &shared->states[a], in, err),
                      err));
    int64_t bytes = (int64_t)arena_bytes(worker->arena);
    if (bytes > ARENA_COMPACT && bytes > 2 * worker->charged && !agg_states_raw(shared))
        TRY(single_compact(shared, worker, err));
    if (arena_charge(shared, worker)) return TRIB_OK;
    return query_space_check(&shared->grant, "for the value of an aggregate", err);
}

static Status aggregate_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    AggLocal *self = context->local;
    AggShared *shared = context->shared;
    *step = STEP_NEED_INPUT;
    if (in->selected == 0) return TRIB_OK;
    if (!self->worker) TRY(local_begin(context, err));
    TRY(cancel_check(context->query->cancel, err));
    evaluator_reset(self->evaluator);
    arena_reset(self->arena);
    if (shared->ngroups == 0) return consume_single(self, shared, in, err);
    TRY(consume_groups(context, in, err));
    bool pressure = !arena_charge(shared, self->worker) || self->worker->store.pressure;
    return pressure ? worker_relieve(self, shared, context->arena, err) : TRIB_OK;
}

/* ---------------------------------------------------------------- the end of the input */

static Status aggregate_combine(OpContext *context, Error *err) {
    AggLocal *self = context->local;
    AggShared *shared = context->shared;
    AggWorker *worker = self->worker;
    if (!worker) return TRIB_OK;
    Status status = TRIB_OK;
    group_table_clear(&worker->table);
    pthread_mutex_lock(&shared->lock);
    for (uint32_t g = 0; g < shared->ngroups; g++) shared->may_null[g] |= worker->store.may_null[g];
    if (shared->ngroups == 0) {
        uint8_t *into = shared->single - shared->layout->tail_offset,
                *from = worker->single - shared->layout->tail_offset;
        status = agg_states_combine(shared, &into, &from, 1, shared->single_arena, err);
    }
    pthread_mutex_unlock(&shared->lock);
    return status;
}

Status agg_job_push(AggShared *self, AggJob *job, Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    if (self->njobs == self->jobs_capacity) {
        uint32_t capacity = self->jobs_capacity ? self->jobs_capacity * 2 : 64;
        AggJob *jobs = heap_resize(self->jobs, capacity * sizeof *jobs);
        if (!jobs) {
            status = error_out_of_memory(err);
        } else {
            self->jobs = jobs;
            self->jobs_capacity = capacity;
        }
    }
    if (status == TRIB_OK) {
        self->jobs[self->njobs++] = *job;
        *job = (AggJob){0};
    }
    pthread_mutex_unlock(&self->lock);
    return status;
}

void agg_file_keep(AggShared *self, SpillFile *file) {
    pthread_mutex_lock(&self->lock);
    spill_files_add(&self->files, file);
    pthread_mutex_unlock(&self->lock);
}

/* A partition's pages, of all workers. Those of a worker that never emptied its table come first:
 * no two of its rows are of one group. */
static Status job_fill(AggShared *self, uint32_t p, AggWorker *first, AggJob *job, Error *err) {
    if (first) TRY(row_store_take(&first->store, p, &job->pages, err));
    job->unlike = job->pages.count;
    for (AggWorker *worker = self->workers; worker; worker = worker->next) {
        TRY(row_store_take(&worker->store, p, &job->pages, err));
        TRY(row_store_take(&worker->packed, p, &job->packed, err));
    }
    return TRIB_OK;
}

/* Jobs are taken from the end: partitions in memory lie there, so that their memory is free for
 * the others. */
Status agg_jobs_make(AggShared *self, Error *err) {
    uint32_t filled = 0;
    bool cleared = false;
    AggWorker *first = NULL;
    for (AggWorker *worker = self->workers; worker; worker = worker->next) {
        filled += worker->seen > 0;
        cleared |= worker->cleared;
        if (!worker->cleared && worker->seen > 0) first = worker;
    }
    self->distinct = filled <= 1 && !cleared;
    for (uint32_t p = 1u << self->bits; p-- > 0;) {
        AggJob job = {.top = RADIX_TOP - self->bits};
        Status status = job_fill(self, p, first, &job, err);
        bool empty = job.pages.count == 0 && job.packed.count == 0;
        if (status == TRIB_OK && !empty) status = agg_job_push(self, &job, err);
        if (status != TRIB_OK) {
            page_list_clear(&job.pages, &self->space);
            page_list_clear(&job.packed, &self->space);
            return status;
        }
    }
    return TRIB_OK;
}

static Status aggregate_finish(OpContext *context, Step *step, Error *err) {
    AggShared *shared = context->shared;
    *step = STEP_FINISHED;
    if (shared->ngroups == 0) return TRIB_OK;
    shared->no_input = true;
    for (const AggWorker *worker = shared->workers; worker; worker = worker->next)
        shared->no_input &= worker->seen == 0;
    return agg_jobs_make(shared, err);
}

/* Takes the one turn that there is to put out rows that come from no group. */
static bool single_turn(AggShared *shared) {
    pthread_mutex_lock(&shared->lock);
    bool done = shared->single_done;
    shared->single_done = true;
    pthread_mutex_unlock(&shared->lock);
    return !done;
}

/* Of grouping sets: the rows of those without expressions, when there was no input. */
static Status produce_empty(AggShared *shared, Batch *out, Step *step, Error *err) {
    const PhysNode *node = shared->node;
    uint32_t n = node->as.aggregate.nempty;
    *step = STEP_FINISHED;
    if (n == 0 || !single_turn(shared)) return TRIB_OK;
    TRY(batch_columns(out, shared->ngroups + shared->nstates, err));
    for (uint32_t g = 0; g < shared->ngroups; g++) {
        TRY(vector_new(out->arena, node->types[g], n, &out->columns[g], err));
        for (uint32_t i = 0; i < n; i++) {
            const Value *value = &node->as.aggregate.empty_rows[i][g]->as.value;
            TRY(vector_set(out->arena, &out->columns[g], i, value, err));
        }
    }
    uint8_t **states;
    TRY_ALLOC(states, ARENA_ARRAY(out->arena, uint8_t *, n), err);
    for (uint32_t i = 0; i < n; i++) states[i] = shared->initial;
    for (uint32_t a = 0; a < shared->nstates; a++) {
        const AggState *state = &shared->states[a];
        Vector *result = &out->columns[shared->ngroups + a];
        TRY(vector_new(out->arena, state->result, n, result, err));
        Status status = state->aggregate->finish(state->aggregate, states, state->offset, n, result,
                                                 out->arena, err);
        TRY(agg_place(state, status, err));
    }
    out->count = out->selected = n;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

static Status produce_single(AggShared *shared, Batch *out, Step *step, Error *err) {
    *step = STEP_FINISHED;
    if (!single_turn(shared)) return TRIB_OK;
    TRY(batch_columns(out, shared->nstates, err));
    for (uint32_t a = 0; a < shared->nstates; a++) {
        const AggState *state = &shared->states[a];
        TRY(vector_new(out->arena, state->result, 1, &out->columns[a], err));
        Status status = state->aggregate->finish(state->aggregate, &shared->single, state->offset,
                                                 1, &out->columns[a], out->arena, err);
        TRY(agg_place(state, status, err));
    }
    out->count = out->selected = 1;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

static Status aggregate_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    AggLocal *self = context->local;
    AggShared *shared = context->shared;
    TRY(cancel_check(context->query->cancel, err));
    if (shared->ngroups == 0) return produce_single(shared, out, step, err);
    if (shared->no_input) return produce_empty(shared, out, step, err);
    return agg_source_produce(context, &self->source, out, step, err);
}

const Operator op_aggregate = {
    .name = "aggregate",
    .shared_size = sizeof(AggShared),
    .local_size = sizeof(AggLocal),
    .min_memory = aggregate_min_memory,
    .open = aggregate_open,
    .close = aggregate_close,
    .local_close = aggregate_local_close,
    .consume = aggregate_consume,
    .combine = aggregate_combine,
    .finish = aggregate_finish,
    .produce = aggregate_produce,
};
