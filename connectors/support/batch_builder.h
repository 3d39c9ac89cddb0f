/*
 * batch_builder.h - builds batches in the canonical layout of the ABI, column by column or row by row.
 *
 *   builder = batch_builder_new(host, types, n, 2048, 1 MiB);
 *   each batch: batch_begin; rows: batch_set_* and batch_text for each column, then batch_row_done,
 *               until batch_full; batch_finish moves it out as a TribBatch.
 *
 * A batch's storage is one slab for everything of fixed width and a list of text blocks shared by all
 * text columns (each column's variadic buffers are that list). It is reference-counted by the arrays
 * made of it: it may be released on any thread, in any order, children moved out or not, after the
 * builder is gone; then it goes back to the builder's pool while that lives, or is freed. A builder
 * belongs to one thread at a time.
 *
 * Arrays, maps and rows: a nested column has child columns. Those of a row hold one value per value of the
 * row, NULL ones too; that of an array holds all elements one after the other, and so does that of a map:
 * a row of key and value. What hangs below an array or map has a length of its own: batch_child_add makes
 * room for the next value there, batch_list_end closes an array or map, NULL ones too.
 *
 * Memory comes from the host (charged to the process budget). A text block is 64 KiB unless a value
 * is larger. A value is at most 2 GiB - 1 (the layout's limit).
 */
#ifndef TRIB_SUPPORT_BATCH_BUILDER_H
#define TRIB_SUPPORT_BATCH_BUILDER_H

#include "connectors/tributary_connector.h"
#include "engine/base/bitmap.h"
#include "engine/base/text.h"

typedef struct BatchStorage BatchStorage;
typedef struct BatchPool BatchPool;

/* How a column's values lie in memory. */
typedef enum {
    BATCH_BITS,
    BATCH_INT8,
    BATCH_INT16,
    BATCH_INT32,
    BATCH_INT64,
    BATCH_INT128,
    BATCH_FLOAT,
    BATCH_DOUBLE,
    BATCH_FIXED16,
    BATCH_VIEW,
    BATCH_LIST, /* array, map: int32 ends of the values, behind a 0 */
    BATCH_ROW   /* no values of its own */
} BatchLayout;

/* An Arrow string view, as it lies in the buffer of a text column. */
typedef struct BatchView {
    int32_t length;
    union {
        char inlined[12]; /* length <= 12; unused bytes are 0 */
        struct {
            char prefix[4];
            int32_t block;
            int32_t offset;
        } far;
    } as;
} BatchView;

/* One column of the batch being built. Direct writes into `values` (max_rows elements) are welcome. */
typedef struct BatchColumn BatchColumn;
struct BatchColumn {
    TribType type;
    BatchLayout layout;
    uint32_t width; /* bytes per value; 0 for BATCH_BITS and BATCH_ROW */
    void *values;
    uint64_t *validity; /* all set by batch_begin */
    uint32_t nulls;
    /* nested columns */
    BatchColumn *children; /* array, map: one */
    uint32_t nchildren;
    bool grows;    /* hangs below an array or map: */
    uint32_t rows; /* values there are, and have room */
    uint32_t room;
};

typedef struct BatchBuilder {
    const TribHost *host;
    uint32_t ncolumns, max_rows;
    uint32_t nnodes; /* the columns and what is nested in them */
    uint64_t max_bytes;
    BatchColumn *columns; /* nnodes: those of the batch come first */
    uint32_t rows;        /* done */
    uint64_t row_width;   /* bytes per row of the fixed part */
    uint64_t text_bytes;  /* in the text blocks and below arrays and maps */
    /* internal: the text block that is being filled */
    char *block;
    uint32_t block_used, block_size;
    int32_t block_index;
    size_t *offsets; /* per column: values, validity within the slab */
    size_t slab_bytes;
    BatchStorage *storage;
    BatchPool *pool;
    Arena *arena;
} BatchBuilder;

/* Canonical layout of a type; false: the builder does not build it. */
bool batch_layout(TribType type, BatchLayout *layout, uint32_t *width);

/* max_rows is lowered where so many rows would be wider than max_bytes. Errors: UNSUPPORTED naming the type; out of memory. */
Status batch_builder_new(const TribHost *host, const TribType *types, uint32_t ncolumns,
                         uint32_t max_rows, uint64_t max_bytes, BatchBuilder **out,
                         Error *err) WARN_UNUSED;
void batch_builder_free(BatchBuilder *self); /* NULL is allowed; batches handed out live on */

/* Starts a batch. An unfinished one is thrown away. */
Status batch_begin(BatchBuilder *self, Error *err) WARN_UNUSED;
/* Moves `self->rows` rows out. The builder needs batch_begin before it is written to again. */
void batch_finish(BatchBuilder *self, TribBatch *out);

static inline bool batch_full(const BatchBuilder *self) {
    return self->rows >= self->max_rows ||
           self->rows * self->row_width + self->text_bytes >= self->max_bytes;
}
/* All columns of row self->rows are set: on to the next. */
static inline void batch_row_done(BatchBuilder *self) {
    self->rows++;
}

/* Fixed-width setters: the row is below max_rows, the column has the layout that the name says. */
static inline void batch_set_bool(BatchColumn *column, uint32_t row, bool value) {
    uint8_t *bits = (uint8_t *)column->values;
    uint8_t mask = (uint8_t)(1u << (row & 7));
    bits[row >> 3] = (uint8_t)(value ? bits[row >> 3] | mask : bits[row >> 3] & ~mask);
}
static inline void batch_set_int8(BatchColumn *column, uint32_t row, int8_t value) {
    ((int8_t *)column->values)[row] = value;
}
static inline void batch_set_int16(BatchColumn *column, uint32_t row, int16_t value) {
    ((int16_t *)column->values)[row] = value;
}
static inline void batch_set_int32(BatchColumn *column, uint32_t row, int32_t value) {
    ((int32_t *)column->values)[row] = value;
}
static inline void batch_set_int64(BatchColumn *column, uint32_t row, int64_t value) {
    ((int64_t *)column->values)[row] = value;
}
static inline void batch_set_int128(BatchColumn *column, uint32_t row, __int128 value) {
    ((__int128 *)column->values)[row] = value;
}
static inline void batch_set_float(BatchColumn *column, uint32_t row, float value) {
    ((float *)column->values)[row] = value;
}
static inline void batch_set_double(BatchColumn *column, uint32_t row, double value) {
    ((double *)column->values)[row] = value;
}
/* uuid: 16 bytes, big-endian. */
static inline void batch_set_fixed16(BatchColumn *column, uint32_t row, const void *bytes) {
    memcpy((char *)column->values + (size_t)row * 16, bytes, 16);
}
/* timestamp p 7-9 (zone 0) and timestamp with time zone. */
void batch_set_timestamp_ns(BatchColumn *column, uint32_t row, int64_t us, int32_t ns);
void batch_set_timestamp_zone(BatchColumn *column, uint32_t row, int64_t utc_us, int16_t zone,
                              int16_t ns);

/* NULL; the value is zeroed, so that kernels may read it. */
static inline void batch_set_null(BatchColumn *column, uint32_t row) {
    bitmap_unset(column->validity, row);
    column->nulls++;
    if (column->width)
        memset((char *)column->values + (size_t)row * column->width, 0, column->width);
    else if (column->layout == BATCH_BITS)
        batch_set_bool(column, row, false);
}

/* Room for one more value of a column that grows; *row = its place. The columns of a row grow with it. */
Status batch_child_add(BatchBuilder *self, BatchColumn *column, uint32_t *row,
                       Error *err) WARN_UNUSED;
/* The array or map at `row` ends with the child's last value; to be called for each row in its order. */
static inline void batch_list_end(BatchColumn *column, uint32_t row) {
    ((int32_t *)column->values)[row + 1] = (int32_t)column->children[0].rows;
}
/* NULL for any column: what hangs below it is filled in too. */
void batch_null_deep(BatchColumn *column, uint32_t row);

/* Slow path of batch_text: makes room for `length` bytes in a text block; NULL with *err filled in. */
char *batch_text_block(BatchBuilder *self, size_t length, Error *err);

/* Copies a text or binary value in. */
static inline Status batch_text(BatchBuilder *self, BatchColumn *column, uint32_t row,
                                const void *data, size_t length, Error *err) {
    BatchView *view = (BatchView *)column->values + row;
    if (length <= 12) {
        view->length = (int32_t)length;
        memset(view->as.inlined, 0, sizeof view->as.inlined);
        if (length) memcpy(view->as.inlined, data, length);
        return TRIB_OK;
    }
    char *place;
    if (length <= self->block_size - self->block_used) {
        place = self->block + self->block_used;
    } else {
        place = batch_text_block(self, length, err);
        if (!place) return err->status;
    }
    memcpy(place, data, length);
    view->length = (int32_t)length;
    memcpy(view->as.far.prefix, data, 4);
    view->as.far.block = self->block_index;
    view->as.far.offset = (int32_t)(place - self->block);
    self->block_used += (uint32_t)length;
    self->text_bytes += length;
    return TRIB_OK;
}

/*
 * For sources that write a value themselves: room for exactly `length` bytes of row `row`; the caller
 * fills it in and calls batch_text_done before any other text of the batch. NULL with *err filled in.
 */
char *batch_text_room(BatchBuilder *self, BatchColumn *column, uint32_t row, size_t length,
                      Error *err);
void batch_text_done(BatchColumn *column, uint32_t row, const char *room);

/* Any value of any type that is not nested (slow; for literals and tests). */
Status batch_value(BatchBuilder *self, uint32_t column, uint32_t row, const TribValue *value,
                   Error *err) WARN_UNUSED;

#endif
