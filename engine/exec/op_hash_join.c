/*
 * op_hash_join.c - joins: INNER, LEFT, RIGHT, FULL, SEMI, ANTI, NOT IN (ANTI_NULLS), IN as a value
 * (MARK); SEMI and ANTI with the kept side built (RIGHT_SEMI, RIGHT_ANTI).
 *
 * Roles. Sink for the build side (join_build.c): rows in radix partitions, then a table per
 * partition. Transform for the probe side (join_probe.c): batches are looked up; rows of partitions
 * on disk are put aside. Source of the tail (join_tail.c): partitions on disk, build rows without a
 * match, NOT IN's undecided rows.
 *
 * Keys: NULL matches nothing, except NULL in null_safe keys. null_aware keys are IN's own
 * comparisons: NULL there makes the answer unknown. All other keys and the residual are conditions
 * of the sub-query: what is not true does not hold. Without keys every pair of rows is looked at,
 * block by block, or only those within the bounds that the condition sets (join_range.c).
 *
 * Memory: rows and slots against the operator's grant. What is refused sends partitions to disk,
 * the last ones first; the others are joined while the probe side streams by (hybrid hash join).
 * Order: of the probe side within a batch, none across workers or after a spill. Threads: see
 * JoinShared.
 */
#include "engine/exec/join.h"
#include "engine/exec/query_space.h"

#define PAGE_FIRST      4096
#define PAGE_MAX_FORCED (UINT32_C(16) * 1024)
#define BITS            6
#define BITS_TIGHT      4

typedef struct JoinLocal {
    void *build, *probe, *tail; /* build: first, finish() finds it there */
} JoinLocal;

static uint64_t join_min_memory(const PhysNode *node, uint32_t workers) {
    (void)node;
    return (UINT64_C(1) << 20) + (UINT64_C(256) << 10) * workers;
}

/* ---------------------------------------------------------------- which columns rows have */

/* Marks the ordinals that an expression uses. */
static void expr_ordinals(const Expr *e, bool *used) {
    if (e->kind == EXPR_COLUMN) used[e->as.ordinal] = true;
    for (uint32_t i = 0; i < e->nargs; i++) expr_ordinals(e->args[i], used);
}

typedef struct SideSpec {
    uint32_t ncolumns, nkeys, noutput;
    Expr *const *keys;
    const uint32_t *output;
    const bool *residual; /* by ordinal */
    const Type *types;
    uint32_t tail_bytes;
} SideSpec;

/* Keys first; then the columns that are needed later and are not keys themselves. */
static Status side_layout(Arena *arena, const SideSpec *spec, RowLayout **layout, uint32_t **source,
                          uint32_t **column, Error *err) {
    uint32_t most = spec->nkeys + spec->ncolumns, n = spec->nkeys;
    Type *types;
    bool *needed;
    TRY_ALLOC(types, ARENA_ARRAY(arena, Type, most + 1), err);
    TRY_ALLOC(needed, ARENA_ARRAY(arena, bool, spec->ncolumns + 1), err);
    TRY_ALLOC(*source, ARENA_ARRAY(arena, uint32_t, most + 1), err);
    TRY_ALLOC(*column, ARENA_ARRAY(arena, uint32_t, spec->ncolumns + 1), err);
    memset(*source, 0xff, (most + 1) * sizeof **source);
    memset(*column, 0xff, (spec->ncolumns + 1) * sizeof **column);
    for (uint32_t j = 0; j < spec->noutput; j++) needed[spec->output[j]] = true;
    for (uint32_t k = 0; k < spec->nkeys; k++) {
        const Expr *key = spec->keys[k];
        types[k] = key->type;
        if (key->kind == EXPR_COLUMN && (*column)[key->as.ordinal] == NO_COLUMN)
            (*column)[key->as.ordinal] = k;
    }
    for (uint32_t o = 0; o < spec->ncolumns; o++) {
        if ((!needed[o] && !spec->residual[o]) || (*column)[o] != NO_COLUMN) continue;
        types[n] = spec->types[o];
        (*source)[n] = o;
        (*column)[o] = n++;
    }
    return row_layout_new(arena, n, types, ROW_HASH_BYTES, spec->tail_bytes, 1, layout, err);
}

static Status layouts_make(JoinShared *self, Arena *arena, Error *err) {
    const PhysNode *node = self->node, *probe = node->children[0], *build = node->children[1];
    TRY_ALLOC(self->residual_uses, ARENA_ARRAY(arena, bool, self->nprobe + self->nbuild + 1), err);
    if (node->as.join.residual) expr_ordinals(node->as.join.residual, self->residual_uses);
    SideSpec side = {.ncolumns = self->nprobe,
                     .nkeys = self->nkeys,
                     .noutput = node->as.join.nprobe_output,
                     .keys = node->as.join.probe_keys,
                     .output = node->as.join.probe_output,
                     .residual = self->residual_uses,
                     .types = probe->types};
    TRY(side_layout(arena, &side, &self->probe_layout, &self->probe_source, &self->probe_column,
                    err));
    side = (SideSpec){.ncolumns = self->nbuild,
                      .nkeys = self->nkeys,
                      .noutput = node->as.join.nbuild_output,
                      .keys = node->as.join.build_keys,
                      .output = node->as.join.build_output,
                      .residual = self->residual_uses + self->nprobe,
                      .types = build->types,
                      .tail_bytes = self->keeps_build ? 1 : 0};
    return side_layout(arena, &side, &self->build_layout, &self->build_source, &self->build_column,
                       err);
}

/* ---------------------------------------------------------------- life */

static Status join_allocate(JoinShared *self, Query *query, Error *err) {
    uint32_t n = 1u << self->bits;
    Arena *arena = query->arena;
    TRY_ALLOC(self->lists, ARENA_ARRAY(arena, PageList, n), err);
    TRY_ALLOC(self->tables, ARENA_ARRAY(arena, JoinTable, n), err);
    TRY_ALLOC(self->may_null, ARENA_ARRAY(arena, bool, self->build_layout->ncolumns + 1), err);
    TRY_ALLOC(self->waiting, ARENA_ARRAY(arena, Waker, query->workers), err);
    uint32_t ntargets = self->node->as.join.ntargets;
    TRY_ALLOC(self->bounds, ARENA_ARRAY(arena, JoinBound, ntargets), err);
    for (uint32_t t = 0; t < ntargets; t++)
        self->bounds[t].minimum.is_null = self->bounds[t].maximum.is_null = true;
    TRY_ALLOC(self->bounds_arena, arena_new(NULL), err);
    TRY_ALLOC(self->ranges, ARENA_ARRAY(arena, KeyRange, self->nkeys + 1), err);
    TRY_ALLOC(self->filters, ARENA_ARRAY(arena, KeyFilter, self->nkeys + 1), err);
    for (uint32_t k = 0; k < self->nkeys; k++) self->ranges[k] = (KeyRange){INT64_MAX, INT64_MIN};
    return TRIB_OK;
}

static Status join_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    JoinShared *self = shared;
    self->node = node;
    self->query = query;
    self->kind = node->as.join.join == JOIN_CROSS ? JOIN_INNER : node->as.join.join;
    self->nkeys = node->as.join.nkeys;
    self->nprobe = node->children[0]->ncolumns;
    self->nbuild = node->children[1]->ncolumns;
    self->null_safe = node->as.join.null_safe;
    bool in = self->kind == JOIN_ANTI_NULLS || self->kind == JOIN_MARK;
    self->null_aware = in ? node->as.join.null_aware & ~self->null_safe : 0;
    self->keeps_probe = self->kind == JOIN_LEFT || self->kind == JOIN_FULL;
    self->only_marks = self->kind == JOIN_RIGHT_SEMI || self->kind == JOIN_RIGHT_ANTI;
    self->keeps_build = self->kind == JOIN_RIGHT || self->kind == JOIN_FULL || self->only_marks;
    self->only_found = in || self->kind == JOIN_SEMI || self->kind == JOIN_ANTI;
    self->unknown_rows = self->null_aware && (self->nkeys > 1 || node->as.join.residual);
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    int64_t minimum = (int64_t)join_min_memory(node, query->workers);
    bool tight = query->force_spill || budget_limit(query->budget) < 16 * minimum;
    self->bits = self->nkeys == 0 ? 0 : tight ? BITS_TIGHT : BITS;
    atomic_init(&self->kept, 1u << self->bits);
    uint32_t page_max = query->force_spill
                            ? PAGE_MAX_FORCED
                            : row_page_max(query->budget, query->workers, 1u << self->bits);
    TRY(query_space_open(query, node, minimum, PAGE_FIRST, page_max, "for a join", &self->grant,
                         &self->space, err));
    TRY(layouts_make(self, query->arena, err));
    TRY(join_range_open(self, query->arena, err));
    return join_allocate(self, query, err);
}

static void builders_free(JoinBuilder *builder) {
    while (builder) {
        JoinBuilder *next = builder->next;
        row_store_clear(&builder->store);
        row_store_clear(&builder->nulls);
        heap_free(builder);
        builder = next;
    }
}

static void asides_free(JoinAside *aside) {
    while (aside) {
        JoinAside *next = aside->next;
        row_store_clear(&aside->store);
        row_store_clear(&aside->undecided[0]);
        row_store_clear(&aside->undecided[1]);
        heap_free(aside);
        aside = next;
    }
}

static void join_close(void *shared) {
    JoinShared *self = shared;
    for (uint32_t p = 0; self->lists && p < 1u << self->bits; p++)
        page_list_clear(&self->lists[p], &self->space);
    block_free(&self->grant, &self->slots);
    join_filters_free(self);
    join_range_free(self);
    for (uint32_t j = 0; j < self->njobs; j++) {
        page_list_clear(&self->jobs[j].build, &self->space);
        page_list_clear(&self->jobs[j].probe, &self->space);
    }
    heap_free(self->jobs);
    if (self->space.grant) {
        page_list_clear(&self->nulls, &self->space);
        page_list_clear(&self->retained, &self->space);
        page_list_clear(&self->undecided[0], &self->space);
        page_list_clear(&self->undecided[1], &self->space);
    }
    builders_free(self->builders);
    asides_free(self->asides);
    spill_file_free(self->file);
    spill_files_free(&self->files);
    arena_free(self->bounds_arena);
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
}

static void join_local_close(OpContext *context) {
    JoinLocal *local = context->local;
    join_tail_free(local->tail);
    local->tail = NULL;
}

/* ---------------------------------------------------------------- roles */

static Status join_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    JoinLocal *local = context->local;
    *step = STEP_NEED_INPUT;
    return join_build_consume(context, &local->build, in, err);
}

static Status join_combine(OpContext *context, Error *err) {
    return join_build_combine(context, ((JoinLocal *)context->local)->build, err);
}

static Status join_finish(OpContext *context, Step *step, Error *err) {
    JoinLocal *local = context->local;
    return join_build_finish(context, &local->build, step, err);
}

static uint32_t join_finish_tasks(const PhysNode *node, void *shared) {
    (void)node;
    return 1u << ((JoinShared *)shared)->bits;
}

static Status join_transform(OpContext *context, Batch *in, Batch *out, Step *step, Error *err) {
    JoinLocal *local = context->local;
    return join_process(context, &local->probe, in, out, step, err);
}

static bool join_tail(const PhysNode *node, void *shared) {
    (void)node;
    return join_has_tail(shared);
}

static Status join_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    JoinLocal *local = context->local;
    return join_tail_produce(context, &local->tail, out, step, err);
}

const Operator op_hash_join = {
    .name = "hash_join",
    .shared_size = sizeof(JoinShared),
    .local_size = sizeof(JoinLocal),
    .min_memory = join_min_memory,
    .open = join_open,
    .close = join_close,
    .local_close = join_local_close,
    .consume = join_consume,
    .combine = join_combine,
    .finish = join_finish,
    .finish_tasks = join_finish_tasks,
    .process = join_transform,
    .has_tail = join_tail,
    .produce = join_produce,
};
