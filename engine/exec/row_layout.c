/*
 * row_layout.c - layouts, and the kernels from vectors to rows.
 *
 * Columns are placed by descending size, so that there is no padding but at the end. Each kernel is
 * one loop per column with a constant size, over arrays of row pointers that the caller
 * (row_store.c, hash_table.c) has made.
 */
#include "engine/exec/row_layout.h"

#include "engine/exec/row_serial.h"

static uint32_t round_up(uint32_t bytes, uint32_t to) {
    return (bytes + to - 1) / to * to;
}

static void column_describe(Type type, RowColumn *out) {
    PhysicalType physical = type_physical(type);
    bool nested = physical == PHYS_LIST || physical == PHYS_ROW;
    *out = (RowColumn){.type = type,
                       .physical = (uint8_t)physical,
                       .nested = nested,
                       .heap = nested || physical == PHYS_STRING,
                       .size = (uint8_t)(nested ? sizeof(StrView) : physical_size(physical))};
}

Status row_layout_new(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t front,
                      uint32_t tail_bytes, uint32_t tail_align, RowLayout **out, Error *err) {
    RowLayout *self;
    TRY_ALLOC(self, ARENA_NEW(arena, RowLayout), err);
    self->ncolumns = ncolumns;
    self->front = front;
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, RowColumn, ncolumns ? ncolumns : 1), err);
    for (uint32_t c = 0; c < ncolumns; c++) {
        column_describe(types[c], &self->columns[c]);
        self->has_heap |= self->columns[c].heap;
    }
    uint32_t offset = front;
    for (uint32_t size = 16; size > 0; size /= 2) {
        for (uint32_t c = 0; c < ncolumns; c++) {
            if (self->columns[c].size != size) continue;
            self->columns[c].offset = offset;
            offset += size;
        }
    }
    self->validity_offset = offset;
    self->tail_offset = round_up(offset + (ncolumns + 7) / 8, tail_bytes >= 8 ? tail_align : 1);
    self->width = round_up(self->tail_offset + tail_bytes, tail_bytes >= 8 ? tail_align : 8);
    if (self->width == 0) self->width = 8;
    TRY_ALLOC(self->null_row, arena_alloc(arena, self->width), err);
    *out = self;
    return TRIB_OK;
}

Status row_flatten(const RowColumn *column, const Vector *vector, const uint16_t *selection,
                   uint32_t count, uint32_t positions, Arena *arena, FlatColumn *out, Error *err) {
    Vector flat = *vector;
    if (vector->form != VECTOR_FLAT)
        TRY(vector_flatten(arena, vector, selection, count, positions, &flat, err));
    out->data = flat.data;
    out->validity = flat.validity;
    if (!column->nested) return TRIB_OK;
    StrView *values;
    TRY_ALLOC(values, ARENA_ARRAY(arena, StrView, positions ? positions : 1), err);
    TRY(serial_write(&flat, selection, count, arena, values, err));
    out->data = (const uint8_t *)values;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scattering */

static inline bool position_valid(const uint64_t *validity, uint32_t position) {
    return !validity || bitmap_get(validity, position);
}

void row_heap_bytes(const RowLayout *self, const FlatColumn *columns, const uint16_t *positions,
                    uint32_t count, uint32_t *bytes) {
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (!self->columns[c].heap) continue;
        const StrView *views = (const StrView *)columns[c].data;
        const uint64_t *validity = columns[c].validity;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t length = views[positions[i]].len;
            if (length > STRVIEW_INLINE && position_valid(validity, positions[i]))
                bytes[i] += length;
        }
    }
}

#define SCATTER(SIZE)                                                           \
    case SIZE:                                                                  \
        for (uint32_t i = 0; i < count; i++)                                    \
            memcpy(rows[i] + offset, data + (size_t)positions[i] * SIZE, SIZE); \
        break;

static void scatter_fixed(const RowColumn *column, const uint8_t *data, const uint16_t *positions,
                          uint32_t count, uint8_t *const *rows) {
    uint32_t offset = column->offset;
    switch (column->size) {
        SCATTER(1)
        SCATTER(2)
        SCATTER(4)
        SCATTER(8)
        SCATTER(16)
    default: break;
    }
}

/* More than 12 bytes; most are few enough for two overlapping pieces. */
static inline void bytes_copy(uint8_t *to, const char *from, uint32_t length) {
    if (length <= 16) {
        memcpy(to, from, 8);
        memcpy(to + length - 8, from + length - 8, 8);
    } else if (length <= 32) {
        memcpy(to, from, 16);
        memcpy(to + length - 16, from + length - 16, 16);
    } else {
        memcpy(to, from, length);
    }
}

static void scatter_heap(const RowColumn *column, const FlatColumn *values,
                         const uint16_t *positions, uint32_t count, uint8_t *const *rows,
                         uint8_t **heap) {
    const StrView *views = (const StrView *)values->data;
    for (uint32_t i = 0; i < count; i++) {
        StrView view = views[positions[i]];
        if (view.len > STRVIEW_INLINE && position_valid(values->validity, positions[i])) {
            bytes_copy(heap[i], view.ptr, view.len);
            view.ptr = (const char *)heap[i];
            heap[i] += view.len;
        }
        memcpy(rows[i] + column->offset, &view, sizeof view);
    }
}

/* NULLs: the validity bit goes and the value becomes zero bytes. */
static void scatter_nulls(const RowLayout *self, uint32_t c, const uint64_t *validity,
                          const uint16_t *positions, uint32_t count, uint8_t *const *rows) {
    uint32_t byte = self->validity_offset + c / 8;
    uint8_t mask = (uint8_t) ~(1u << (c % 8));
    const RowColumn *column = &self->columns[c];
    for (uint32_t i = 0; i < count; i++) {
        if (bitmap_get(validity, positions[i])) continue;
        rows[i][byte] &= mask;
        memset(rows[i] + column->offset, 0, column->size);
    }
}

void row_scatter(const RowLayout *self, const FlatColumn *columns, const uint16_t *positions,
                 uint32_t count, uint8_t *const *rows, uint8_t **heap) {
    uint32_t validity_bytes = (self->ncolumns + 7) / 8;
    if (validity_bytes == 1) {
        for (uint32_t i = 0; i < count; i++) rows[i][self->validity_offset] = 0xff;
    } else {
        for (uint32_t i = 0; i < count; i++)
            memset(rows[i] + self->validity_offset, 0xff, validity_bytes);
    }
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        const RowColumn *column = &self->columns[c];
        if (column->heap)
            scatter_heap(column, &columns[c], positions, count, rows, heap);
        else
            scatter_fixed(column, columns[c].data, positions, count, rows);
        if (columns[c].validity)
            scatter_nulls(self, c, columns[c].validity, positions, count, rows);
    }
}

/* ---------------------------------------------------------------- whole rows */

uint32_t row_copy_bytes(const RowLayout *self, const uint8_t *row) {
    uint32_t bytes = 0;
    if (!self->has_heap) return 0;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (!self->columns[c].heap) continue;
        uint32_t length;
        memcpy(&length, row + self->columns[c].offset, sizeof length);
        if (length > STRVIEW_INLINE) bytes += length;
    }
    return bytes;
}

void row_copy(const RowLayout *self, const uint8_t *from, uint8_t *to, uint8_t **heap) {
    memcpy(to, from, self->width);
    if (!self->has_heap) return;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (!self->columns[c].heap) continue;
        StrView view;
        memcpy(&view, from + self->columns[c].offset, sizeof view);
        if (view.len <= STRVIEW_INLINE) continue;
        bytes_copy(*heap, view.ptr, view.len);
        view.ptr = (const char *)*heap;
        *heap += view.len;
        memcpy(to + self->columns[c].offset, &view, sizeof view);
    }
}

void row_rebase(const RowLayout *self, uint8_t *rows, uint32_t count, ptrdiff_t delta) {
    if (delta == 0 || !self->has_heap) return;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        if (!self->columns[c].heap) continue;
        uint8_t *at = rows + self->columns[c].offset;
        for (uint32_t i = 0; i < count; i++, at += self->width) {
            StrView view;
            memcpy(&view, at, sizeof view);
            if (view.len <= STRVIEW_INLINE) continue;
            view.ptr = (const char *)((uintptr_t)view.ptr + (uintptr_t)delta);
            memcpy(at, &view, sizeof view);
        }
    }
}
