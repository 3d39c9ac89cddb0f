/*
 * scan.c - plans and scans over tables in memory.
 *
 * A plan remembers which columns are wanted, the table's version and the newest commit of that moment:
 * a scan sees one state of the table, whatever is written meanwhile. Conjuncts of the form "column
 * compared with a literal" are kept to skip row groups whose range rules them out; they are answered
 * SUPERSET then. A split is a run of row groups: one each, unless the engine wants fewer.
 *
 * A batch is a slice of a row group: arrays that point into its chunks and hold a reference to it; rows
 * that the snapshot does not see are left out by a selection. Nothing is copied but row ids (a hidden
 * column, by which rows are found again to be changed), and nothing waits. Plans are immutable; a scan belongs to one thread at a time.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "connectors/memory/scan.h"
#include "connectors/support/call.h"

typedef struct PlanRange {
    uint32_t column;
    uint16_t op; /* eq, lt, le, gt, ge with the column on the left */
    bool real;
    int64_t integer;
    double number;
} PlanRange;

typedef struct PlanSplit {
    TribSplit base;
    uint32_t first, count; /* groups */
} PlanSplit;

struct TribPlan {
    _Atomic uint32_t references;
    Arena *arena;
    MemTable *table;
    MemVersion *version;
    uint64_t commit;
    MemLookup *found; /* NULL: the groups are read; else its hits */
    uint32_t ncolumns;
    uint32_t *columns; /* of the table, by output */
    uint32_t nranges;
    PlanRange *ranges;
    pthread_mutex_t lock; /* guards the arena and what splits() adds to it */
};

struct TribScan {
    TribPlan *plan;
    const TribHost *host;
    MemSnapshot snapshot;
    uint32_t next, end;    /* groups, or hits */
    MemGroup *group;       /* the current one, borrowed from the version; NULL = take the next */
    bool whole;            /* all rows of the group were visible when it was begun */
    uint32_t row, row_end; /* of the group */
    uint32_t batch_rows;
    uint64_t batch_bytes;
    uint64_t row_width, worst_row; /* of the group */
    uint32_t narrays;              /* of a slice, with the struct on top */
    atomic_bool cancelled;
    TribStats stats;
};

/* ---------------------------------------------------------------- planning */

static void verdict_set(TribVerdict *verdict, TribVerdictKind kind, const char *reason) {
    if (!verdict) return;
    verdict->kind = kind;
    size_t length = strlen(reason);
    if (length >= sizeof verdict->reason) length = sizeof verdict->reason - 1;
    memcpy(verdict->reason, reason, length);
    verdict->reason[length] = '\0';
}

static uint16_t op_mirrored(uint16_t op) {
    switch (op) {
    case TRIB_FN_lt: return TRIB_FN_gt;
    case TRIB_FN_le: return TRIB_FN_ge;
    case TRIB_FN_gt: return TRIB_FN_lt;
    case TRIB_FN_ge: return TRIB_FN_le;
    default: return op;
    }
}

static bool type_ranged(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIME: return true;
    case TRIB_TYPE_TIMESTAMP: return type.precision <= 6;
    case TRIB_TYPE_DECIMAL: return type.precision <= 18;
    default: return false;
    }
}

/* Is the conjunct a comparison of a column with a literal of its own type? */
static bool range_of(const TribOffer *offer, const TribNode *call, PlanRange *out) {
    if (call->kind != TRIB_NODE_CALL || call->count != 2) return false;
    if (call->op != TRIB_FN_eq && call->op != TRIB_FN_lt && call->op != TRIB_FN_le &&
        call->op != TRIB_FN_gt && call->op != TRIB_FN_ge)
        return false;
    const TribNode *left = &offer->nodes[call->first], *right = left + 1;
    bool mirrored = left->kind == TRIB_NODE_LITERAL;
    const TribNode *column = mirrored ? right : left, *literal = mirrored ? left : right;
    if (column->kind != TRIB_NODE_COLUMN || literal->kind != TRIB_NODE_LITERAL) return false;
    const TribValue *value = &offer->values[literal->ref];
    if (value->is_null || value->type.id != column->type.id ||
        value->type.scale != column->type.scale ||
        value->type.precision != column->type.precision || !type_ranged(column->type))
        return false;
    *out = (PlanRange){.column = column->ref, .op = mirrored ? op_mirrored(call->op) : call->op};
    out->real = column->type.id == TRIB_TYPE_REAL || column->type.id == TRIB_TYPE_DOUBLE;
    if (out->real)
        out->number = value->as.real;
    else
        out->integer = value->as.integer;
    return !out->real || out->number == out->number;
}

static Status plan_columns(TribPlan *self, const TribOffer *offer, Error *err) {
    self->ncolumns = offer->noutput;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, uint32_t, offer->noutput), err);
    for (uint32_t i = 0; i < offer->noutput; i++) {
        const TribNode *node = &offer->nodes[offer->output[i]];
        if (node->kind != TRIB_NODE_COLUMN || node->ref > self->table->ncolumns)
            return error_set(err, ERR_UNSUPPORTED, "a table in memory gives its columns only");
        self->columns[i] = node->ref; /* ncolumns: the row's id */
    }
    return TRIB_OK;
}

static Status plan_conjuncts(TribPlan *self, TribOffer *offer, Error *err) {
    TRY_ALLOC(self->ranges, ARENA_ARRAY(self->arena, PlanRange, offer->nconjuncts), err);
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        PlanRange *range = &self->ranges[self->nranges];
        if (offer->mode != TRIB_PUSHDOWN_OFF &&
            range_of(offer, &offer->nodes[offer->conjuncts[i]], range) &&
            range->column < self->table->ncolumns) {
            self->nranges++;
            verdict_set(&offer->verdicts[i], TRIB_SUPERSET, "skips row groups by their range");
        } else {
            verdict_set(&offer->verdicts[i], TRIB_NONE,
                        "tables in memory are filtered by the engine");
        }
    }
    return TRIB_OK;
}

static bool range_excludes(const PlanRange *range, const Chunk *chunk) {
    if (!chunk->ranged) return chunk->nulls == chunk->length && chunk->length > 0;
    int low = 0, high = 0; /* the literal against minimum and maximum: -1 below, 1 above */
    if (range->real) {
        low = range->number < chunk->minimum.as.real ? -1 : range->number > chunk->minimum.as.real;
        high = range->number < chunk->maximum.as.real ? -1 : range->number > chunk->maximum.as.real;
    } else {
        low = range->integer < chunk->minimum.as.integer
                  ? -1
                  : range->integer > chunk->minimum.as.integer;
        high = range->integer < chunk->maximum.as.integer
                   ? -1
                   : range->integer > chunk->maximum.as.integer;
    }
    switch (range->op) {
    case TRIB_FN_eq: return low < 0 || high > 0;
    case TRIB_FN_lt: return low <= 0;
    case TRIB_FN_le: return low < 0;
    case TRIB_FN_gt: return high >= 0;
    case TRIB_FN_ge: return high > 0;
    default: return false;
    }
}

static bool group_wanted(const TribPlan *plan, const MemGroup *group) {
    for (uint32_t i = 0; i < plan->nranges; i++) {
        if (range_excludes(&plan->ranges[i], group_chunk(group, plan->ranges[i].column)))
            return false;
    }
    return true;
}

static void plan_text(TribPlan *self, TribOffer *offer) {
    Buf text;
    buf_init(&text, self->arena, 1 << 20);
    buf_printf(&text, "table %s.%s (", self->table->schema, self->table->name);
    for (uint32_t i = 0; i < self->ncolumns; i++)
        buf_printf(&text, "%s%s", i ? ", " : "",
                   self->columns[i] < self->table->ncolumns
                       ? self->table->columns[self->columns[i]].name
                       : ROW_ID_NAME);
    buf_char(&text, ')');
    offer->text = text.failed ? "table" : text.data;
    double rows = 0;
    uint32_t wanted = 0;
    if (self->found) {
        Buf note;
        buf_init(&note, self->arena, 1 << 12);
        buf_text(&note, "by ");
        key_describe(self->table, self->found->key, &note);
        offer->note = note.failed ? "by key" : note.data;
        offer->rows = self->found->nhits ? 1 : 0;
        return;
    }
    for (uint32_t i = 0; i < self->version->ngroups; i++) {
        if (!group_wanted(self, self->version->groups[i])) continue;
        wanted++;
        rows += self->version->groups[i]->rows;
    }
    offer->rows = rows;
    if (wanted < self->version->ngroups)
        offer->note =
            arena_printf(self->arena, "row groups %u of %u", wanted, self->version->ngroups);
}

/* A table that was altered after the statement was bound cannot be told by its name. */
Status table_check(const MemTable *table, const TribTable *described, Error *err) {
    uint32_t ncolumns = described->ncolumns;
    while (ncolumns > 0 && described->columns[ncolumns - 1].hidden) ncolumns--;
    bool same = table->ncolumns == ncolumns;
    for (uint32_t i = 0; same && i < table->ncolumns; i++) {
        const TribType *now = &table->columns[i].type, *then = &described->columns[i].type;
        same = now->id == then->id && now->precision == then->precision &&
               now->scale == then->scale &&
               strcmp(table->columns[i].name, described->columns[i].name) == 0;
    }
    if (same) return TRIB_OK;
    (void)error_set(err, ERR_SEQUENCE,
                    "the table %s.%s has changed since the statement was prepared", table->schema,
                    table->name);
    return error_hint(err, "prepare the statement again");
}

/* Is the conjunct `column = literal` of the column's type? */
static const TribValue *equality_of(const TribOffer *offer, const TribNode *call,
                                    uint32_t *column) {
    if (call->kind != TRIB_NODE_CALL || call->count != 2 || call->op != TRIB_FN_eq) return NULL;
    const TribNode *left = &offer->nodes[call->first], *right = left + 1;
    if (left->kind == TRIB_NODE_LITERAL) {
        left = right;
        right = &offer->nodes[call->first];
    }
    if (left->kind != TRIB_NODE_COLUMN || right->kind != TRIB_NODE_LITERAL) return NULL;
    const TribValue *value = &offer->values[right->ref];
    *column = left->ref;
    return value->type.id == left->type.id && value->type.scale == left->type.scale &&
                   value->type.precision == left->type.precision && !value->is_null
               ? value
               : NULL;
}

/* The version to be read; rows found by a unique key, if the conjuncts give one. */
static Status plan_version(TribPlan *self, const MemTx *tx, const TribOffer *offer, Error *err) {
    const TribValue **equal;
    MemLookup *found;
    uint32_t column;
    TRY_ALLOC(equal, ARENA_ARRAY(self->arena, const TribValue *, self->table->ncolumns), err);
    TRY_ALLOC(found, ARENA_NEW(self->arena, MemLookup), err);
    for (uint32_t i = 0; offer->mode != TRIB_PUSHDOWN_OFF && i < offer->nconjuncts; i++) {
        const TribValue *value = equality_of(offer, &offer->nodes[offer->conjuncts[i]], &column);
        if (value && column < self->table->ncolumns) equal[column] = value;
    }
    Status status = table_lookup(self->table, tx, equal, found, err);
    self->version = found->version;
    self->commit = found->commit;
    if (found->key) self->found = found;
    return status;
}

TribStatus memory_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                       TribError *err) {
    const MemTx *tx = call && call->transaction ? call->transaction->tx : NULL;
    if (offer->njoins > 0 || offer->ntables != 1)
        return error_set(err, ERR_UNSUPPORTED, "tables in memory are joined by the engine");
    const TribTable *described = offer->tables[0];
    TribPlan *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    pthread_mutex_init(&self->lock, NULL);
    self->arena = arena_new(NULL);
    self->table = store_table(catalog->store, tx, described->schema, described->name);
    Status status = TRIB_OK;
    if (!self->arena)
        status = error_out_of_memory(err);
    else if (!self->table)
        status = store_no_table(catalog->store, described->schema, described->name, err);
    if (status == TRIB_OK) status = table_check(self->table, described, err);
    if (status == TRIB_OK) {
        status = plan_version(self, tx, offer, err);
        if (status == TRIB_OK) status = plan_columns(self, offer, err);
    }
    if (status == TRIB_OK) status = plan_conjuncts(self, offer, err);
    if (status != TRIB_OK) {
        memory_plan_release(self);
        return status;
    }
    offer->taken = 0;
    verdict_set(&offer->joins_verdict, TRIB_NONE, "");
    verdict_set(&offer->grouping_verdict, TRIB_NONE, "grouped by the engine");
    verdict_set(&offer->order_verdict, TRIB_NONE, "ordered by the engine");
    verdict_set(&offer->limit_verdict, TRIB_NONE, "limited by the engine");
    for (uint32_t i = 0; offer->key_verdicts && i < offer->nkeys; i++)
        verdict_set(&offer->key_verdicts[i], TRIB_NONE, "filtered by the engine");
    plan_text(self, offer);
    *out = self;
    return TRIB_OK;
}

void memory_plan_retain(TribPlan *plan) {
    atomic_fetch_add_explicit(&plan->references, 1, memory_order_relaxed);
}

void memory_plan_release(TribPlan *plan) {
    if (!plan || atomic_fetch_sub_explicit(&plan->references, 1, memory_order_acq_rel) != 1) return;
    version_release(plan->version);
    table_release(plan->table);
    arena_free(plan->arena);
    pthread_mutex_destroy(&plan->lock);
    heap_free(plan);
}

static Status splits_build(TribPlan *plan, uint32_t wanted, const TribSplit *const **out,
                           uint32_t *count, Error *err) {
    const MemVersion *version = plan->version;
    uint32_t groups = plan->found ? 0 : version->ngroups;
    uint32_t nsplits = groups < wanted ? groups : wanted;
    if (nsplits == 0) nsplits = 1; /* without groups: an empty split */
    const TribSplit **list;
    TRY_ALLOC(list, ARENA_ARRAY(plan->arena, const TribSplit *, nsplits), err);
    uint32_t made = 0;
    for (uint32_t i = 0; i < nsplits; i++) {
        PlanSplit split = {.base = {.size = sizeof(TribSplit)}};
        split.first = (uint32_t)((uint64_t)groups * i / nsplits);
        split.count = (uint32_t)((uint64_t)groups * (i + 1) / nsplits) - split.first;
        bool any = false;
        for (uint32_t g = split.first; g < split.first + split.count; g++) {
            if (!group_wanted(plan, version->groups[g])) continue;
            any = true;
            split.base.rows += version->groups[g]->rows;
            split.base.bytes += version->groups[g]->bytes;
        }
        if (!any && (made || i + 1 < nsplits)) continue; /* one at least */
        PlanSplit *kept;
        TRY_ALLOC(kept, ARENA_NEW(plan->arena, PlanSplit), err);
        *kept = split;
        kept->base.data = kept;
        list[made++] = &kept->base;
    }
    *out = list;
    *count = made;
    return TRIB_OK;
}

TribStatus memory_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                         const TribSplit *const **out, uint32_t *count, TribError *err) {
    (void)call;
    pthread_mutex_lock(&plan->lock);
    Status status = splits_build(plan, wanted ? wanted : 1, out, count, err);
    pthread_mutex_unlock(&plan->lock);
    return status;
}

/* ---------------------------------------------------------------- slices */

/* The arrays of one batch, released together when the last of them is. */
typedef struct Slice {
    _Atomic uint32_t arrays;
    const TribHost *host;
    MemGroup *group;
    uint16_t *selection;
    uint64_t *ids;
    const void *id_buffers[2];
} Slice;

static void slice_array_release(struct ArrowArray *array) {
    Slice *slice = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release) array->children[i]->release(array->children[i]);
    }
    array->release = NULL;
    if (atomic_fetch_sub_explicit(&slice->arrays, 1, memory_order_acq_rel) != 1) return;
    group_release(slice->group);
    heap_free(slice->selection);
    heap_free(slice->ids);
    host_free(slice->host, slice);
}

typedef struct SliceRoom {
    struct ArrowArray *arrays;
    struct ArrowArray **pointers;
    Slice *slice;
} SliceRoom;

static void slice_fill(const Chunk *chunk, SliceRoom *room, uint32_t from, uint32_t count,
                       struct ArrowArray *out) {
    *out = (struct ArrowArray){.length = count,
                               .null_count = chunk->nulls ? -1 : 0,
                               .offset = from,
                               .n_buffers = chunk->nbuffers,
                               .n_children = chunk->nchildren,
                               .buffers = chunk->buffers,
                               .release = slice_array_release,
                               .private_data = room->slice};
    if (!chunk->nchildren) return;
    out->children = room->pointers;
    room->pointers += chunk->nchildren;
    for (uint32_t i = 0; i < chunk->nchildren; i++) {
        out->children[i] = room->arrays++;
        slice_fill(&chunk->children[i], room, 0, chunk->children[i].length, out->children[i]);
    }
}

static const void *no_buffers[1] = {NULL};

/* The rows' ids, written out unless the group has them. */
static Status slice_ids(Slice *slice, uint32_t from, uint32_t count, struct ArrowArray *out,
                        Error *err) {
    const MemGroup *group = slice->group;
    if (!group->ids && !slice->ids) {
        TRY_ALLOC(slice->ids, heap_alloc(count * sizeof(uint64_t)), err);
        for (uint32_t i = 0; i < count; i++) slice->ids[i] = group->first_id + from + i;
    }
    slice->id_buffers[1] = group->ids ? (const void *)group->ids->data : slice->ids;
    *out = (struct ArrowArray){.length = count,
                               .offset = group->ids ? from : 0,
                               .n_buffers = 2,
                               .buffers = slice->id_buffers,
                               .release = slice_array_release,
                               .private_data = slice};
    return TRIB_OK;
}

/* A child without ids, so that all can be released together. */
static Status slice_failed(Slice *slice, struct ArrowArray *child, Error *err) {
    *child = (struct ArrowArray){.release = slice_array_release, .private_data = slice};
    return err->status;
}

static Status slice_make(TribScan *self, uint32_t from, uint32_t count, TribBatch *out,
                         Error *err) {
    const TribPlan *plan = self->plan;
    size_t head = (sizeof(Slice) + 15) & ~(size_t)15;
    size_t bytes = head + self->narrays * (sizeof(struct ArrowArray) + sizeof(struct ArrowArray *));
    Slice *slice = host_alloc(self->host, bytes);
    if (!slice) return error_out_of_memory(err);
    *slice = (Slice){.host = self->host, .group = self->group};
    atomic_init(&slice->arrays, self->narrays);
    group_retain(self->group);
    SliceRoom room = {.arrays = (struct ArrowArray *)((char *)slice + head), .slice = slice};
    room.pointers = (struct ArrowArray **)(room.arrays + (self->narrays - 1));
    out->selection = NULL;
    out->selected = count;
    out->array = (struct ArrowArray){.length = count,
                                     .n_buffers = 1,
                                     .buffers = no_buffers,
                                     .n_children = plan->ncolumns,
                                     .children = room.pointers,
                                     .release = slice_array_release,
                                     .private_data = slice};
    room.pointers += plan->ncolumns;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        struct ArrowArray *child = out->array.children[i] = room.arrays++;
        if (plan->columns[i] < plan->table->ncolumns)
            slice_fill(group_chunk(self->group, plan->columns[i]), &room, from, count, child);
        else if (slice_ids(slice, from, count, child, err) != TRIB_OK)
            status = slice_failed(slice, child, err);
    }
    if (status != TRIB_OK) out->array.release(&out->array);
    return status;
}

/* Rows that the snapshot does not see are left out by a selection. */
static Status slice_select(TribScan *self, uint32_t from, uint32_t count, TribBatch *batch,
                           Error *err) {
    Slice *slice = batch->array.private_data;
    slice->selection = heap_alloc(count * sizeof(uint16_t));
    if (!slice->selection) {
        batch->array.release(&batch->array);
        return error_out_of_memory(err);
    }
    batch->selection = slice->selection;
    batch->selected = group_select(self->group, self->snapshot, from, count, slice->selection);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scanning */

TribStatus memory_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                            TribScan **out, struct ArrowSchema *schema, TribError *err) {
    (void)call;
    const PlanSplit *split = request->split->data;
    TribScan *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->plan = (TribPlan *)request->plan;
    memory_plan_retain(self->plan);
    self->host = catalog->host;
    self->snapshot = (MemSnapshot){self->plan->commit, 0};
    if (request->transaction) self->snapshot = tx_snapshot(request->transaction->tx);
    /* A transaction that has begun since: the version has nothing of what was committed between. */
    if (self->snapshot.commit > self->plan->commit) self->snapshot.commit = self->plan->commit;
    self->next = split->first;
    self->end = self->plan->found ? self->plan->found->nhits : split->first + split->count;
    self->batch_rows = request->batch_rows ? request->batch_rows : 2048;
    self->batch_bytes = request->batch_bytes ? request->batch_bytes : UINT64_MAX;
    self->stats.size = sizeof self->stats;
    schema->release = NULL;
    *out = self;
    return TRIB_OK;
}

static void scan_measure(TribScan *self) {
    const TribPlan *plan = self->plan;
    self->row_width = 0;
    self->worst_row = 0;
    self->narrays = 1;
    for (uint32_t i = 0; i < plan->ncolumns; i++) {
        if (plan->columns[i] == plan->table->ncolumns) {
            self->row_width += sizeof(uint64_t);
            self->narrays++;
            continue;
        }
        const Chunk *chunk = group_chunk(self->group, plan->columns[i]);
        self->row_width += chunk_row_width(chunk);
        self->worst_row += chunk->longest;
        self->narrays += chunk->narrays;
    }
    self->worst_row += self->row_width;
}

/* On to the next group, or row, that may have something for us; false at the end. */
static bool scan_advance(TribScan *self) {
    const TribPlan *plan = self->plan;
    while (self->next < self->end) {
        const MemHit *hit = plan->found ? &plan->found->hits[self->next] : NULL;
        MemGroup *group = hit ? hit->group : plan->version->groups[self->next];
        self->next++;
        if (group->rows == 0 || !group_any_visible(group, self->snapshot) ||
            (!hit && !group_wanted(plan, group)))
            continue;
        self->group = group;
        self->whole = group_all_visible(group, self->snapshot);
        self->row = hit ? hit->row : 0;
        self->row_end = hit ? hit->row + 1 : group->rows;
        scan_measure(self);
        return true;
    }
    return false;
}

/* As many rows from self->row on as fit into batch_bytes, at least one. */
static uint32_t rows_that_fit(const TribScan *self, uint32_t most) {
    const TribPlan *plan = self->plan;
    uint32_t own = plan->table->ncolumns;
    if (self->worst_row == 0 || most <= self->batch_bytes / self->worst_row) return most;
    uint64_t bytes = 0;
    uint32_t count = 0;
    while (count < most) {
        bytes += self->row_width;
        for (uint32_t i = 0; i < plan->ncolumns; i++) {
            if (plan->columns[i] == own) continue;
            bytes += chunk_text_at(group_chunk(self->group, plan->columns[i]), self->row + count);
        }
        if (count > 0 && bytes > self->batch_bytes) break;
        count++;
    }
    return count;
}

TribStatus memory_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err) {
    batch->array.release = NULL;
    for (;;) {
        if (atomic_load_explicit(&scan->cancelled, memory_order_relaxed))
            return error_set(err, ERR_CANCELLED, "the scan was cancelled");
        if (!scan->group && !scan_advance(scan)) return TRIB_OK;
        uint32_t count = scan->row_end - scan->row;
        if (count > scan->batch_rows) count = scan->batch_rows;
        if (max_rows && count > max_rows) count = max_rows;
        count = rows_that_fit(scan, count);
        uint32_t from = scan->row;
        TRY(slice_make(scan, from, count, batch, err));
        if (!scan->whole) TRY(slice_select(scan, from, count, batch, err));
        scan->row += count;
        if (scan->row == scan->row_end) scan->group = NULL;
        scan->stats.rows += batch->selected;
        if (batch->selected) return TRIB_OK;
        batch->array.release(&batch->array);
    }
}

void memory_scan_cancel(TribScan *scan) {
    atomic_store_explicit(&scan->cancelled, true, memory_order_relaxed);
}

void memory_scan_stats(TribScan *scan, TribStats *stats) {
    size_t size = stats->size < sizeof *stats ? stats->size : sizeof *stats;
    memcpy(stats, &scan->stats, size);
    stats->size = size;
}

void memory_scan_release(TribScan *scan) {
    if (!scan) return;
    memory_plan_release(scan->plan);
    heap_free(scan);
}
