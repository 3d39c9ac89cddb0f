/*
 * held.c - copies of rows whose batch is about to go.
 *
 * A copy is flat: values of fixed width side by side, texts with their bytes, nested values as their
 * JSON text. Memory: the cursor's `held` arena, until the next fetch.
 */
#include "driver/held.h"

#include "engine/base/bitmap.h"

static Status copy_text(Arena *arena, const StrView *from, StrView *to, Error *err) {
    char *bytes;
    *to = *from;
    if (from->len <= STRVIEW_INLINE) return TRIB_OK;
    TRY_ALLOC(bytes, arena_copy(arena, from->ptr, from->len), err);
    *to = strview_of(bytes, from->len);
    return TRIB_OK;
}

static Status copy_nested(Arena *arena, const ColumnView *column, uint32_t at, StrView *to, Error *err) {
    Buf text;
    buf_init(&text, arena, INT32_MAX);
    TRY(nested_text(column, at, &text, err));
    *to = strview_of(text.data ? text.data : "", text.len);
    return TRIB_OK;
}

static Status copy_column(Arena *arena, const RowSegment *segment, const ColumnView *from, ColumnView *to,
                          Error *err) {
    bool nested = from->physical == PHYS_LIST || from->physical == PHYS_ROW;
    bool text = from->physical == PHYS_STRING;
    size_t size = nested ? sizeof(StrView) : physical_size(from->physical);
    uint64_t *validity;
    char *data;
    TRY_ALLOC(validity, ARENA_ARRAY(arena, uint64_t, bitmap_words(segment->count)), err);
    TRY_ALLOC(data, arena_array(arena, segment->count, size), err);
    for (uint32_t i = 0; i < segment->count; i++) {
        uint32_t at;
        if (!cursor_position(segment->batch, from, segment->first + i, &at)) continue;
        bitmap_set(validity, i);
        void *place = data + i * size;
        if (nested) TRY(copy_nested(arena, from, at, place, err));
        else if (text) TRY(copy_text(arena, (const StrView *)from->data + at, place, err));
        else memcpy(place, (const char *)from->data + (size_t)at * size, size);
    }
    *to = (ColumnView){.type = from->type, .physical = from->physical, .form = COLUMN_FLAT, .data = data,
                       .validity = validity};
    if (nested) {
        to->type = (TribType){.id = TRIB_TYPE_VARCHAR};
        to->physical = PHYS_STRING;
    }
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

Status held_keep(Stmt *stmt, Error *err) {
    Cursor *cursor = &stmt->cursor;
    bool wanted = !cursor->all_bound || cursor->data_wanted;
    if (wanted && !cursor->held) TRY_ALLOC(cursor->held, arena_new(NULL), err);
    for (uint32_t i = 0; i < cursor->nsegments; i++) {
        RowSegment *segment = &cursor->segments[i];
        if (segment->batch != cursor->batch || !segment->batch) continue;
        if (wanted) TRY(copy_segment(cursor->held, segment, err));
        else segment->batch = NULL;
    }
    return TRIB_OK;
}
