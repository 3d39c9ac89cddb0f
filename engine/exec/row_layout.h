/*
 * row_layout.h - rows: how operators that keep rows lay columns out, and the kernels between rows
 * and vectors.
 *
 * A row is a record of fixed width:
 *     front (hash, next pointer or sort key) | columns, widest first | validity bytes | tail
 *     (states, flags)
 * Text is a StrView whose bytes beyond 12 lie in the same page as the row (row_store.h). Arrays,
 * maps and rows are serialised (row_serial.h) and kept like text. A NULL column holds zero bytes.
 * Rows are aligned to 8 bytes (16 where the tail asks for it); 16-byte columns are only aligned to
 * 8 and are read with memcpy.
 *
 * Layouts are immutable and shared by threads. Kernels work on whole batches, a column at a time.
 */
#ifndef TRIB_EXEC_ROW_LAYOUT_H
#define TRIB_EXEC_ROW_LAYOUT_H

#include "engine/vector/vector.h"

typedef struct RowColumn {
    Type type;
    uint32_t offset;
    uint8_t physical; /* PhysicalType of the type */
    uint8_t size;     /* bytes in the row */
    bool heap;        /* a StrView, bytes beyond it in the page */
    bool nested;      /* the bytes are a serialised value */
} RowColumn;

typedef struct RowLayout {
    uint32_t ncolumns;
    RowColumn *columns;
    uint32_t width;           /* of a row, a multiple of its alignment */
    uint32_t front;           /* bytes before the columns, a multiple of 8 */
    uint32_t validity_offset; /* bit c of these bytes: column c is not NULL */
    uint32_t tail_offset;
    bool has_heap;
    uint8_t *null_row; /* a row whose columns are all NULL */
} RowLayout;

#define ROW_HASH_BYTES 8

/* front: ROW_HASH_BYTES for rows that carry their hash first, else any multiple of 8.
 * tail_align: 8 or 16. */
Status row_layout_new(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t front,
                      uint32_t tail_bytes, uint32_t tail_align, RowLayout **out,
                      Error *err) WARN_UNUSED;

/* A column of a batch as the kernels want it: flat values of the column's stored form, by
 * position. */
typedef struct FlatColumn {
    const uint8_t *data;
    const uint64_t *validity; /* NULL = all valid */
} FlatColumn;

/* Brings a vector of any form into that shape over the selected rows: nested values are
 * serialised into the arena, other forms flattened into it; a flat vector is borrowed as it is. */
Status row_flatten(const RowColumn *column, const Vector *vector, const uint16_t *selection,
                   uint32_t count, uint32_t positions, Arena *arena, FlatColumn *out,
                   Error *err) WARN_UNUSED;

static inline bool row_is_null(const RowLayout *self, const uint8_t *row, uint32_t column) {
    return !((row[self->validity_offset + column / 8] >> (column % 8)) & 1);
}
static inline uint64_t row_hash(const uint8_t *row) {
    uint64_t hash;
    memcpy(&hash, row, sizeof hash);
    return hash;
}

/* Adds each row's bytes outside the row (long text, serialised values) to bytes[i], i < count. */
void row_heap_bytes(const RowLayout *self, const FlatColumn *columns, const uint16_t *positions,
                    uint32_t count, uint32_t *bytes);
/* Writes the columns of `count` rows: row i takes position positions[i]; heap[i] has room for
 * its bytes (heap may be NULL without such columns) and is advanced. The validity bytes are
 * written whole. */
void row_scatter(const RowLayout *self, const FlatColumn *columns, const uint16_t *positions,
                 uint32_t count, uint8_t *const *rows, uint8_t **heap);
/* Copies one row with its outside bytes to heap (advanced). */
void row_copy(const RowLayout *self, const uint8_t *from, uint8_t *to, uint8_t **heap);
uint32_t row_copy_bytes(const RowLayout *self, const uint8_t *row); /* outside bytes of one row */
/* Moves every outside pointer of `count` consecutive rows by `delta` bytes: after their page
 * moved. */
void row_rebase(const RowLayout *self, uint8_t *rows, uint32_t count, ptrdiff_t delta);

/* Room for one output column of BATCH_ROWS positions, reused batch after batch. */
typedef struct ColumnRoom {
    Type type;
    uint8_t *data; /* by the stored form */
    uint64_t *validity;
} ColumnRoom;
Status column_room_new(Arena *arena, const RowColumn *column, ColumnRoom *out,
                       Error *err) WARN_UNUSED;

/* The stored form of a column of `count` rows, at positions 0..count-1 of the room. */
void row_gather_flat(const RowLayout *self, uint32_t column, uint8_t *const *rows, uint32_t count,
                     bool may_null, ColumnRoom *room, FlatColumn *out);
/* The column as a FLAT vector: row i at position positions[i] (NULL: i) of `npositions`; text is
 * borrowed from the rows' pages, children of nested values live in the arena. may_null false:
 * promises that none is NULL. */
Status row_gather(const RowLayout *self, uint32_t column, uint8_t *const *rows, uint32_t count,
                  const uint16_t *positions, uint32_t npositions, bool may_null, ColumnRoom *room,
                  Arena *arena, Vector *out, Error *err) WARN_UNUSED;

/* How NULLs compare in row_match. */
typedef enum RowNulls {
    ROW_NULLS_NONE, /* neither side has any */
    ROW_NULLS_EQUAL /* NULL equals NULL, and nothing else */
} RowNulls;
/*
 * Of the candidates list[0..count) (indexes into positions and rows) keeps those whose batch value
 * at positions[i] equals the column of rows[i]; returns how many, appends the others to rejected.
 * list stays ascending if it was.
 */
uint32_t row_match(const RowLayout *self, uint32_t column, const FlatColumn *values,
                   const uint16_t *positions, uint8_t *const *rows, RowNulls nulls, uint16_t *list,
                   uint32_t count, uint16_t *rejected, uint32_t *nrejected);
/* -1, 0, 1 in the type's order; both not NULL. */
int row_compare(const RowLayout *self, uint32_t column, const uint8_t *a, const uint8_t *b);

#endif
