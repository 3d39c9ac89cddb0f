/*
 * window_frame.c - from each row to its frame: the rows [start, end) of the partition.
 *
 * ROWS is arithmetic. CURRENT ROW of RANGE and GROUPS is the row's peers. GROUPS keeps, for each bound,
 * the group that it stands at and moves from there, group by group. RANGE with an offset compares the
 * sort key of other rows with the limit that has been computed for this one: the bound is looked for from
 * where it stood for the row before, in steps that double, so that bounds which move evenly cost next to
 * nothing and no bound costs more than the logarithm of its way. Rows whose key is NULL are beyond every
 * offset: their own frame is all NULLs, and no offset of another row reaches them.
 *
 * Empty frames are given as start == end.
 */
#include "engine/exec/window.h"

#include "engine/exec/row_serial.h"

WindowNumber window_number(const PhysWindow *window, uint32_t arg) {
    const Expr *e = window->args[arg];
    if (e->kind == EXPR_COLUMN) return (WindowNumber){.ordinal = e->as.ordinal};
    return (WindowNumber){.constant = true,
                          .null = e->as.value.is_null,
                          .value = e->as.value.is_null ? 0 : e->as.value.as.integer};
}

static bool bound_offset(const FrameBound *bound) {
    return bound->kind == BOUND_PRECEDING || bound->kind == BOUND_FOLLOWING;
}

/* ---------------------------------------------------------------- opening */

static void edge_init(FrameEdge *self, const PhysWindow *window, const FrameBound *bound,
                      bool end) {
    *self = (FrameEdge){.bound = bound, .end = end, .distance = UINT32_MAX};
    if (!bound_offset(bound)) return;
    self->at = window->args[bound->offset];
    if (window->call->unit != FRAME_RANGE) {
        self->offset = window_number(window, bound->offset);
        return;
    }
    const Expr *offset = window->args[bound->offset];
    if (offset->kind == EXPR_COLUMN) self->distance = offset->as.ordinal;
    self->key = window->args[bound->key]->as.ordinal;
    self->limit = window->args[bound->limit]->as.ordinal;
}

/* Does the bound never go back from row to row? */
static bool edge_steady(const FrameEdge *self, const WindowCall *call) {
    if (!bound_offset(self->bound)) return true;
    if (call->unit != FRAME_RANGE) return self->offset.constant;
    return self->distance == UINT32_MAX;
}

/* Are values of these types less than zero? */
static bool value_negative(Type type, const void *value) {
    switch (type_physical(type)) {
    case PHYS_INT8: return *(const int8_t *)value < 0;
    case PHYS_INT16: return physical_compare(PHYS_INT16, value, &(int16_t){0}) < 0;
    case PHYS_INT32: return physical_compare(PHYS_INT32, value, &(int32_t){0}) < 0;
    case PHYS_INT64: return physical_compare(PHYS_INT64, value, &(int64_t){0}) < 0;
    case PHYS_INT128: return physical_compare(PHYS_INT128, value, &(Int128){0}) < 0;
    case PHYS_FLOAT: return physical_compare(PHYS_FLOAT, value, &(float){0}) < 0;
    case PHYS_DOUBLE: return physical_compare(PHYS_DOUBLE, value, &(double){0}) < 0;
    default: return false;
    }
}

static Status offset_refuse(const FrameEdge *edge, bool null, Error *err) {
    return error_set_at(err, ERR_INVALID_ARGUMENT, edge->at->line, edge->at->column,
                        "the offset of a window frame's %s must not be %s",
                        edge->end ? "end" : "start", null ? "NULL" : "negative");
}

Status window_frame_init(WindowFrame *self, WindowSource *source, const PhysWindow *window,
                         uint32_t level, Error *err) {
    const WindowCall *call = window->call;
    *self = (WindowFrame){.source = source, .window = window, .call = call, .level = level};
    edge_init(&self->edges[0], window, &call->start, false);
    edge_init(&self->edges[1], window, &call->end, true);
    self->steady = edge_steady(&self->edges[0], call) && edge_steady(&self->edges[1], call);
    bool peers = call->unit != FRAME_ROWS;
    bool starts = peers && call->start.kind == BOUND_CURRENT;
    bool ends = peers && call->end.kind == BOUND_CURRENT;
    TRY_ALLOC(self->start, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(self->end, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    if (starts) TRY_ALLOC(self->peer_starts, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    if (ends) TRY_ALLOC(self->peer_ends, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    if (call->unit == FRAME_GROUPS)
        TRY_ALLOC(self->groups, ARENA_ARRAY(source->arena, uint64_t, BATCH_ROWS), err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- ROWS */

static uint64_t row_before(uint64_t row, uint64_t by, uint64_t least) {
    return row - least < by ? least : row - by;
}

static uint64_t row_behind(uint64_t row, uint64_t by, uint64_t most) {
    return most - row < by ? most : row + by;
}

static Status edge_count(const FrameEdge *edge, WindowSource *source, uint32_t position,
                         uint64_t *out, Error *err) {
    int64_t n;
    if (!window_number_get(&edge->offset, source->rows.layout, source->addresses[position], &n))
        return offset_refuse(edge, true, err);
    if (n < 0) return offset_refuse(edge, false, err);
    *out = (uint64_t)n;
    return TRIB_OK;
}

static Status rows_edge(WindowFrame *self, const FrameEdge *edge, const WindowPiece *piece,
                        uint64_t *out, Error *err) {
    WindowSource *source = self->source;
    uint64_t least = source->part_start, most = source->part_end, n = 0;
    bool before = edge->bound->kind == BOUND_PRECEDING;
    for (uint32_t i = 0; i < piece->count; i++) {
        if (i == 0 || !edge->offset.constant)
            TRY(edge_count(edge, source, piece->position + i, &n, err));
        uint64_t row = piece->row + i;
        if (!edge->end)
            out[i] = before ? row_before(row, n, least) : row_behind(row, n, most);
        else if (!before)
            out[i] = row_behind(row + 1, n, most);
        else
            out[i] = row + 1 - least <= n ? least : row + 1 - n;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- GROUPS */

/* Moves the edge to where group `to` begins: the partition's start or end if there is none. */
static Status group_seek(WindowFrame *self, FrameEdge *edge, uint64_t to, Error *err) {
    WindowSource *source = self->source;
    while (edge->group < to && edge->row < source->part_end) {
        TRY(window_run_end(source, edge->row, source->part_end, self->level, &edge->row, err));
        edge->group++;
    }
    while (edge->group > to) {
        TRY(window_run_start(source, edge->row - 1, source->part_start, self->level, &edge->row,
                             err));
        edge->group--;
    }
    return TRIB_OK;
}

static Status groups_edge(WindowFrame *self, FrameEdge *edge, const WindowPiece *piece,
                          uint64_t *out, Error *err) {
    uint64_t n = 0;
    bool before = edge->bound->kind == BOUND_PRECEDING;
    if (piece->begins) {
        edge->row = self->source->part_start;
        edge->group = 0;
    }
    for (uint32_t i = 0; i < piece->count; i++) {
        if (i == 0 || !edge->offset.constant)
            TRY(edge_count(edge, self->source, piece->position + i, &n, err));
        uint64_t group = self->groups[i] + (edge->end ? 1 : 0), to;
        if (before)
            to = n > group ? 0 : group - n;
        else if (__builtin_add_overflow(group, n, &to))
            to = UINT64_MAX;
        TRY(group_seek(self, edge, to, err));
        out[i] = edge->row;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- RANGE with an offset */

/* Is the row's key before the limit (in the order's direction), or, with `equal`, at it? */
static Status key_before(WindowFrame *self, const FrameEdge *edge, const uint8_t *limit,
                         uint64_t row, bool *out, Error *err) {
    const RowLayout *layout = self->source->rows.layout;
    const RowColumn *key = &layout->columns[edge->key];
    uint8_t *at;
    TRY(window_row(&self->source->rows, row, &at, err));
    _Alignas(16) uint8_t value[16];
    memcpy(value, at + key->offset, key->size);
    int order = physical_compare((PhysicalType)key->physical, value, limit);
    if (self->call->directions[0].descending) order = -order;
    *out = edge->end ? order <= 0 : order < 0;
    return TRIB_OK;
}

/* The first row in [low, high) that is not before the limit, looked for from edge->row on. */
static Status limit_seek(WindowFrame *self, FrameEdge *edge, const uint8_t *limit, uint64_t low,
                         uint64_t high, Error *err) {
    uint64_t at = edge->row < low ? low : edge->row > high ? high : edge->row, step = 1;
    bool before = false;
    if (at < high) TRY(key_before(self, edge, limit, at, &before, err));
    if (before) { /* behind it */
        low = at + 1;
        while (high - low >= step) {
            TRY(key_before(self, edge, limit, low + step - 1, &before, err));
            if (!before) {
                high = low + step - 1;
                break;
            }
            low += step;
            step *= 2;
        }
    } else { /* at it or before it */
        high = at;
        while (high - low >= step) {
            TRY(key_before(self, edge, limit, high - step, &before, err));
            if (before) {
                low = high - step + 1;
                break;
            }
            high -= step;
            step *= 2;
        }
    }
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        TRY(key_before(self, edge, limit, middle, &before, err));
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    edge->row = low;
    return TRIB_OK;
}

/* The rows of the partition whose sort key is NULL stand at one of its ends. */
static Status find_nulls(WindowFrame *self, const FrameEdge *edge, Error *err) {
    WindowSource *source = self->source;
    const RowLayout *layout = source->rows.layout;
    uint64_t start = source->part_start, end = source->part_end;
    uint8_t *row;
    self->null_start = self->null_end = end;
    TRY(window_row(&source->rows, start, &row, err));
    if (row_is_null(layout, row, edge->key)) {
        self->null_start = start;
        return window_run_end(source, start, end, self->level, &self->null_end, err);
    }
    TRY(window_row(&source->rows, end - 1, &row, err));
    if (!row_is_null(layout, row, edge->key)) return TRIB_OK;
    return window_run_start(source, end - 1, start, self->level, &self->null_start, err);
}

static Status check_distance(const FrameEdge *edge, const RowLayout *layout, const uint8_t *row,
                             Error *err) {
    if (edge->distance == UINT32_MAX) return TRIB_OK;
    const RowColumn *column = &layout->columns[edge->distance];
    if (row_is_null(layout, row, edge->distance)) return offset_refuse(edge, true, err);
    _Alignas(16) uint8_t value[16];
    memcpy(value, row + column->offset, column->size);
    return value_negative(column->type, value) ? offset_refuse(edge, false, err) : TRIB_OK;
}

static Status range_edge(WindowFrame *self, FrameEdge *edge, const WindowPiece *piece,
                         uint64_t *out, Error *err) {
    WindowSource *source = self->source;
    const RowLayout *layout = source->rows.layout;
    const RowColumn *limit = &layout->columns[edge->limit];
    if (piece->begins) {
        TRY(find_nulls(self, edge, err));
        edge->row = source->part_start;
    }
    bool first = self->null_start == source->part_start && self->null_end > self->null_start;
    uint64_t low = first ? self->null_end : source->part_start;
    uint64_t high = first ? source->part_end : self->null_start;
    for (uint32_t i = 0; i < piece->count; i++) {
        const uint8_t *row = source->addresses[piece->position + i];
        TRY(check_distance(edge, layout, row, err));
        if (row_is_null(layout, row, edge->key)) {
            out[i] = edge->end ? self->null_end : self->null_start;
            continue;
        }
        _Alignas(16) uint8_t value[16];
        memcpy(value, row + limit->offset, limit->size);
        TRY(limit_seek(self, edge, value, low, high, err));
        out[i] = edge->row;
    }
    return TRIB_OK;
}

/* A constant offset is looked at once, when there is a row. */
static Status check_constant(const FrameEdge *edge, const PhysWindow *window, Error *err) {
    if (!bound_offset(edge->bound) || window->call->unit != FRAME_RANGE) return TRIB_OK;
    const Expr *e = window->args[edge->bound->offset];
    if (e->kind == EXPR_COLUMN) return TRIB_OK;
    if (e->as.value.is_null) return offset_refuse(edge, true, err);
    Value zero = {.type = e->as.value.type};
    return value_compare(&e->as.value, &zero) < 0 ? offset_refuse(edge, false, err) : TRIB_OK;
}

/* ---------------------------------------------------------------- a piece */

static Status frame_edge(WindowFrame *self, FrameEdge *edge, const WindowPiece *piece,
                         uint64_t *out, Error *err) {
    WindowSource *source = self->source;
    switch ((FrameBoundKind)edge->bound->kind) {
    case BOUND_UNBOUNDED_PRECEDING:
        for (uint32_t i = 0; i < piece->count; i++) out[i] = source->part_start;
        return TRIB_OK;
    case BOUND_UNBOUNDED_FOLLOWING:
        for (uint32_t i = 0; i < piece->count; i++) out[i] = source->part_end;
        return TRIB_OK;
    case BOUND_CURRENT:
        if (self->call->unit != FRAME_ROWS) {
            memcpy(out, edge->end ? self->peer_ends : self->peer_starts,
                   piece->count * sizeof *out);
            return TRIB_OK;
        }
        for (uint32_t i = 0; i < piece->count; i++) out[i] = piece->row + i + edge->end;
        return TRIB_OK;
    default: break;
    }
    if (self->call->unit == FRAME_ROWS) return rows_edge(self, edge, piece, out, err);
    if (self->call->unit == FRAME_GROUPS) return groups_edge(self, edge, piece, out, err);
    return range_edge(self, edge, piece, out, err);
}

static void frame_peers(WindowFrame *self, const WindowPiece *piece) {
    if (!self->peer_starts && !self->groups) return;
    for (uint32_t i = 0; i < piece->count; i++) {
        if (window_new_peers(self->source, piece, i, self->level)) {
            self->group = i == 0 && piece->begins ? 0 : self->group + 1;
            self->peer_start = piece->row + i;
        }
        if (self->peer_starts) self->peer_starts[i] = self->peer_start;
        if (self->groups) self->groups[i] = self->group;
    }
}

Status window_frame_piece(WindowFrame *self, const WindowPiece *piece, Error *err) {
    const PhysWindow *window = self->window;
    if (piece->begins) {
        TRY(check_constant(&self->edges[0], window, err));
        TRY(check_constant(&self->edges[1], window, err));
    }
    frame_peers(self, piece);
    if (self->peer_ends)
        TRY(window_peer_ends(self->source, piece, self->level, self->peer_ends, err));
    TRY(frame_edge(self, &self->edges[0], piece, self->start, err));
    TRY(frame_edge(self, &self->edges[1], piece, self->end, err));
    for (uint32_t i = 0; i < piece->count; i++)
        if (self->end[i] < self->start[i]) self->end[i] = self->start[i];
    return TRIB_OK;
}
