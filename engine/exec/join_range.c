/*
 * join_range.c - joins without keys whose condition bounds a column of the build side: only the build
 * rows between the bounds are paired.
 *
 *   b.v < a.x      b.v BETWEEN a.low AND a.high      a.x >= b.v AND ...
 *
 * Looked for in the residual: comparisons of one build column (as it is, or widened as an integer) with
 * expressions of the probe side, at most one from each side. When the build side is finished its rows are
 * sorted by that column; for each probe row binary search gives the stretch between its bounds. The
 * whole residual is evaluated for the pairs all the same, so that a stretch may be too long, never too short.
 *
 * A bound that cannot be computed for some row is left out for its batch.
 *
 * Columns whose values are integers inside (integers, dates, short decimals, moments) or doubles. A
 * value that is NULL or NaN is in no stretch.
 *
 * Memory: 16 bytes a row against the join's grant. Without room, or if the build side was written to
 * disk, every pair is looked at. Threads: made by one task, read-only afterwards.
 */
#include <math.h>

#include "engine/exec/join.h"

static bool is_range_type(Type type) {
    switch (type_physical(type)) {
    case PHYS_INT8:
    case PHYS_INT16:
    case PHYS_INT32:
    case PHYS_INT64:
    case PHYS_DOUBLE: return true;
    default: return false;
    }
}

/* ---------------------------------------------------------------- finding the bounds */

/* Are all columns of e on the probe side? */
static bool on_probe(const Expr *e, uint32_t nprobe) {
    if (e->kind == EXPR_COLUMN) return e->as.ordinal < nprobe;
    for (uint32_t i = 0; i < e->nargs; i++) {
        if (!on_probe(e->args[i], nprobe)) return false;
    }
    return e->kind != EXPR_SUBQUERY && !e->is_volatile;
}

/* The build column of e, below a widening of integers. */
static bool build_column_of(const Expr *e, uint32_t nprobe, uint32_t *out) {
    if (e->kind == EXPR_CAST && type_is_integer(e->type) && type_is_integer(e->args[0]->type))
        e = e->args[0];
    if (e->kind != EXPR_COLUMN || e->as.ordinal < nprobe) return false;
    *out = e->as.ordinal - nprobe;
    return true;
}

/* Takes `e` as a bound: build column op probe expression, either way round. */
static void bound_take(JoinRange *self, const Expr *e, uint32_t nprobe) {
    if (e->kind != EXPR_CALL || e->nargs != 2) return;
    uint16_t op = e->as.function->id;
    if (op < TRIB_FN_lt || op > TRIB_FN_ge || !is_range_type(e->args[0]->type)) return;
    for (uint32_t side = 0; side < 2; side++) {
        uint32_t column;
        const Expr *build = e->args[side], *probe = e->args[1 - side];
        if (!build_column_of(build, nprobe, &column) || !on_probe(probe, nprobe)) continue;
        if (!type_equal(build->type, probe->type) || (self->used && column != self->ordinal))
            continue;
        bool less = (op == TRIB_FN_lt || op == TRIB_FN_le) == (side == 0);
        const Expr **bound = less ? &self->high : &self->low;
        if (*bound) continue;
        *bound = probe;
        self->used = true;
        self->ordinal = column;
        return;
    }
}

static void bounds_find(JoinRange *self, const Expr *e, uint32_t nprobe) {
    if (e->kind != EXPR_AND) {
        bound_take(self, e, nprobe);
        return;
    }
    for (uint32_t i = 0; i < e->nargs; i++) bounds_find(self, e->args[i], nprobe);
}

Status join_range_open(JoinShared *self, Arena *arena, Error *err) {
    JoinRange *range = &self->range;
    const Expr *residual = self->node->as.join.residual;
    if (self->nkeys > 0 || !residual) return TRIB_OK;
    bounds_find(range, residual, self->nprobe);
    if (!range->used) return TRIB_OK;
    range->column = self->build_column[range->ordinal];
    const Expr *bounds[2] = {range->low, range->high};
    for (uint32_t b = 0; b < 2; b++) {
        if (!bounds[b]) continue;
        TRY(row_layout_new(arena, 1, &bounds[b]->type, 0, 0, 8, &range->layouts[b], err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- values on a line */

/* Doubles in the order of integers; -0 is 0. */
static int64_t double_key(double value) {
    int64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits < 0 ? (int64_t)(~(uint64_t)bits ^ (UINT64_C(1) << 63)) : bits;
}

/* false: NaN. */
static bool key_of(PhysicalType physical, const uint8_t *data, int64_t *out) {
    int16_t i16;
    int32_t i32;
    double real;
    switch (physical) {
    case PHYS_INT8: *out = (int8_t)*data; return true;
    case PHYS_INT16:
        memcpy(&i16, data, sizeof i16);
        *out = i16;
        return true;
    case PHYS_INT32:
        memcpy(&i32, data, sizeof i32);
        *out = i32;
        return true;
    case PHYS_INT64: memcpy(out, data, sizeof *out); return true;
    default:
        memcpy(&real, data, sizeof real);
        *out = double_key(real);
        return !isnan(real);
    }
}

/* Heap sort: in place, whatever the values are. */
static void entries_sink(RangeEntry *entries, uint64_t at, uint64_t count) {
    RangeEntry moving = entries[at];
    for (uint64_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && entries[child + 1].value > entries[child].value;
        if (entries[child].value <= moving.value) break;
        entries[at] = entries[child];
    }
    entries[at] = moving;
}

static Status entries_sort(RangeEntry *entries, uint64_t count, CancelToken *cancel, Error *err) {
    for (uint64_t at = count / 2; at-- > 0;) entries_sink(entries, at, count);
    for (uint64_t last = count; last-- > 1;) {
        RangeEntry largest = entries[0];
        entries[0] = entries[last];
        entries[last] = largest;
        entries_sink(entries, 0, last);
        if (last % 65536 == 0) TRY(cancel_check(cancel, err));
    }
    return TRIB_OK;
}

Status join_range_make(JoinShared *self, Error *err) {
    JoinRange *range = &self->range;
    const PageList *list = &self->lists[0];
    if (!range->used || atomic_load(&self->kept) == 0 || list->rows == 0) return TRIB_OK;
    TRY(block_new(&self->grant, list->rows * sizeof(RangeEntry), false, &range->block, err));
    RangeEntry *entries = range->block.data;
    if (!entries) return TRIB_OK;
    const RowColumn *column = &self->build_layout->columns[range->column];
    for (uint32_t p = 0; p < list->count; p++) {
        for (uint32_t r = 0; r < list->pages[p].rows; r++) {
            uint8_t *row = page_row(&list->pages[p], self->build_layout, r);
            RangeEntry *entry = &entries[range->count];
            if (row_is_null(self->build_layout, row, range->column)) continue;
            entry->row = row;
            range->count +=
                key_of((PhysicalType)column->physical, row + column->offset, &entry->value);
        }
        TRY(cancel_check(self->query->cancel, err));
    }
    return entries_sort(entries, range->count, self->query->cancel, err);
}

void join_range_free(JoinShared *self) {
    block_free(&self->grant, &self->range.block);
}

/* ---------------------------------------------------------------- stretches of a batch */

/* The first entry whose value is not below (after: above) the key. */
static uint64_t entry_search(const JoinRange *self, int64_t key, bool after) {
    const RangeEntry *entries = self->block.data;
    uint64_t low = 0, high = self->count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (after ? entries[middle].value <= key : entries[middle].value < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

Status range_probe_new(JoinShared *shared, Arena *arena, RangeProbe *out, Error *err) {
    *out = (RangeProbe){.range = &shared->range};
    TRY_ALLOC(out->from, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS + 1), err);
    TRY_ALLOC(out->to, ARENA_ARRAY(arena, uint64_t, BATCH_ROWS + 1), err);
    const Expr *bounds[2] = {shared->range.low, shared->range.high};
    for (uint32_t b = 0; b < 2; b++) {
        if (bounds[b])
            TRY(evaluator_new(arena, shared->query->session, 1, &bounds[b], &out->bounds[b], err));
    }
    return TRIB_OK;
}

Status range_probe_begin(RangeProbe *self, const Batch *in, const uint16_t *positions, Arena *arena,
                         Error *err) {
    const JoinRange *range = self->range;
    for (uint32_t i = 0; i < in->selected; i++) {
        self->from[i] = 0;
        self->to[i] = range->count;
    }
    for (uint32_t b = 0; b < 2; b++) {
        if (!self->bounds[b]) continue;
        Vector vector;
        FlatColumn column;
        const RowColumn *shape = &range->layouts[b]->columns[0];
        size_t size = physical_size((PhysicalType)shape->physical);
        Error raised; /* the residual raises it, if a pair comes that far */
        evaluator_reset(self->bounds[b]);
        if (evaluator_run(self->bounds[b], 0, in, &vector, &raised) != TRIB_OK) {
            error_clear(&raised);
            continue;
        }
        TRY(row_flatten(shape, &vector, in->selection, in->selected, in->count, arena, &column,
                        err));
        for (uint32_t i = 0; i < in->selected; i++) {
            uint32_t at = positions[i];
            int64_t key;
            bool null = column.validity && !bitmap_get(column.validity, at);
            if (null || !key_of((PhysicalType)shape->physical, column.data + at * size, &key))
                self->to[i] = 0;
            else if (b == 0)
                self->from[i] = entry_search(range, key, false);
            else if (self->to[i] > 0)
                self->to[i] = entry_search(range, key, true);
        }
    }
    return TRIB_OK;
}
