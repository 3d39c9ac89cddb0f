/*
 * held.c - copies of rows whose batch is about to go.
 *
 * A copy is flat: values of fixed width side by side, texts with their bytes, nested values as their
 * JSON text. Memory: the cursor's `held` arena, until the next fetch.
 */
#include "driver/held.h"

#include "engine/base/bitmap.h"

/* Where the values of the segment's rows stand; UINT32_MAX: NULL. NULL: first, first + 1 ... */
static Status positions_of(Arena *arena, const RowSegment *segment, const ColumnView *from,
                           uint32_t **out, Error *err) {
    *out = NULL;
    if (from->form == COLUMN_FLAT && !segment->batch->selection && !from->validity) return TRIB_OK;
    TRY_ALLOC(*out, ARENA_ARRAY(arena, uint32_t, segment->count), err);
    for (uint32_t i = 0; i < segment->count; i++)
        if (!cursor_position(segment->batch, from, segment->first + i, &(*out)[i]))
            (*out)[i] = UINT32_MAX;
    return TRIB_OK;
}

static Status copy_validity(Arena *arena, const uint32_t *positions, uint32_t count, ColumnView *to,
                            Error *err) {
    uint64_t *validity;
    if (!positions) return TRIB_OK; /* nothing is NULL */
    TRY_ALLOC(validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(count)), err);
    for (uint32_t i = 0; i < count; i++)
        if (positions[i] != UINT32_MAX) bitmap_set(validity, i);
    to->validity = validity;
    return TRIB_OK;
}

static void copy_fixed(const RowSegment *segment, const ColumnView *from, const uint32_t *positions,
                       size_t size, char *data) {
    const char *values = from->data;
    if (!positions) {
        memcpy(data, values + (size_t)segment->first * size, segment->count * size);
        return;
    }
    for (uint32_t i = 0; i < segment->count; i++)
        if (positions[i] != UINT32_MAX)
            memcpy(data + i * size, values + (size_t)positions[i] * size, size);
}

/* All long texts of the segment go into one block. */
static Status copy_texts(Arena *arena, const RowSegment *segment, const ColumnView *from,
                         const uint32_t *positions, StrView *data, Error *err) {
    const StrView *values = from->data;
    size_t bytes = 0;
    char *block;
    for (uint32_t i = 0; i < segment->count; i++) {
        uint32_t at = positions ? positions[i] : segment->first + i;
        if (at == UINT32_MAX) continue;
        data[i] = values[at];
        if (data[i].len > STRVIEW_INLINE) bytes += data[i].len;
    }
    TRY_ALLOC(block, arena_alloc(arena, bytes), err);
    for (uint32_t i = 0; i < segment->count; i++) {
        if (data[i].len <= STRVIEW_INLINE) continue;
        memcpy(block, data[i].ptr, data[i].len);
        data[i].ptr = block;
        block += data[i].len;
    }
    return TRIB_OK;
}

static Status copy_nested(Arena *arena, const RowSegment *segment, const ColumnView *from,
                          const uint32_t *positions, StrView *data, Error *err) {
    for (uint32_t i = 0; i < segment->count; i++) {
        uint32_t at = positions ? positions[i] : segment->first + i;
        if (at == UINT32_MAX) continue;
        Buf text;
        buf_init(&text, arena, INT32_MAX);
        TRY(nested_text(from, at, &text, err));
        data[i] = strview_of(text.data ? text.data : "", text.len);
    }
    return TRIB_OK;
}

static Status copy_column(Arena *arena, const RowSegment *segment, const ColumnView *from,
                          ColumnView *to, Error *err) {
    bool nested = from->physical == PHYS_LIST || from->physical == PHYS_ROW;
    size_t size = nested ? sizeof(StrView) : physical_size(from->physical);
    uint32_t *positions;
    void *data;
    *to = (ColumnView){.type = from->type, .physical = from->physical, .form = COLUMN_FLAT};
    TRY(positions_of(arena, segment, from, &positions, err));
    TRY(copy_validity(arena, positions, segment->count, to, err));
    TRY_ALLOC(data, arena_array(arena, segment->count, size), err);
    to->data = data;
    if (nested) {
        to->type = (TribType){.id = TRIB_TYPE_VARCHAR};
        to->physical = PHYS_STRING;
        return copy_nested(arena, segment, from, positions, data, err);
    }
    if (from->physical == PHYS_STRING)
        return copy_texts(arena, segment, from, positions, data, err);
    copy_fixed(segment, from, positions, size, data);
    return TRIB_OK;
}

static Status copy_segment(Arena *arena, RowSegment *segment, Error *err) {
    const BatchView *from = segment->batch;
    BatchView *to;
    ColumnView *columns;
    TRY_ALLOC(to, ARENA_NEW(arena, BatchView), err);
    TRY_ALLOC(columns, ARENA_ARRAY(arena, ColumnView, from->ncolumns), err);
    for (uint32_t i = 0; i < from->ncolumns; i++)
        TRY(copy_column(arena, segment, &from->columns[i], &columns[i], err));
    *to = (BatchView){.rows = segment->count, .ncolumns = from->ncolumns, .columns = columns};
    segment->batch = to;
    segment->first = 0;
    return TRIB_OK;
}

Status held_copy(Arena *arena, const BatchView *batch, uint32_t logical, uint32_t column,
                 ColumnView *out, Error *err) {
    RowSegment row = {batch, logical, 1};
    return copy_column(arena, &row, &batch->columns[column], out, err);
}

Status held_keep(Stmt *stmt, Error *err) {
    Cursor *cursor = &stmt->cursor;
    bool wanted = !cursor->all_bound || cursor->data_wanted || cursor->scrollable ||
                  change_offered(stmt, NULL);
    if (wanted && !cursor->held) TRY_ALLOC(cursor->held, arena_new(NULL), err);
    for (uint32_t i = 0; i < cursor->nsegments; i++) {
        RowSegment *segment = &cursor->segments[i];
        if (segment->batch != cursor->batch || !segment->batch) continue;
        if (wanted)
            TRY(copy_segment(cursor->held, segment, err));
        else
            segment->batch = NULL;
    }
    return TRIB_OK;
}
