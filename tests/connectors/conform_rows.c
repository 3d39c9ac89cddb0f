/*
 * conform_rows.c - batches of the canonical layout as rows of values, and the comparing of rows.
 *
 * The decoder trusts nothing: buffer counts, view indexes and offsets, validity and null counts are
 * checked against each other and reported.
 */
#include "tests/connectors/conform.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/decimal.h"

#include "connectors/support/batch_builder.h"
#include "connectors/support/sql_text.h"

void rows_init(Rows *self, Arena *arena, uint32_t ncolumns, const TribType *types) {
    *self = (Rows){.arena = arena, .ncolumns = ncolumns, .types = types};
}

static TribValue *rows_room(Rows *self) {
    if (self->count == self->capacity) {
        size_t capacity = self->capacity ? self->capacity * 2 : 64;
        TribValue *values =
            ARENA_ARRAY(self->arena, TribValue, capacity * (self->ncolumns ? self->ncolumns : 1));
        if (!values) abort();
        if (self->count)
            memcpy(values, self->values, self->count * self->ncolumns * sizeof *values);
        self->values = values;
        self->capacity = capacity;
    }
    return self->values + self->count++ * self->ncolumns;
}

void rows_add(Rows *self, const TribValue *row) {
    TribValue *room = rows_room(self);
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        if (!sql_value_copy(self->arena, &row[i], &room[i])) abort();
    }
}

const TribValue *rows_at(const Rows *self, size_t row) {
    return self->values + row * self->ncolumns;
}

/* ---------------------------------------------------------------- decoding */

static bool view_read(const struct ArrowArray *array, int64_t row, Arena *arena, TribValue *out) {
    const BatchView *view = (const BatchView *)array->buffers[1] + row;
    int64_t nblocks = array->n_buffers - 3;
    const int64_t *lengths = array->buffers[array->n_buffers - 1];
    if (view->length < 0) return false;
    const char *data = view->as.inlined;
    if (view->length > 12) {
        if (view->as.far.block < 0 || view->as.far.block >= nblocks || view->as.far.offset < 0)
            return false;
        if ((int64_t)view->as.far.offset + view->length > lengths[view->as.far.block]) return false;
        data = (const char *)array->buffers[2 + view->as.far.block] + view->as.far.offset;
        if (memcmp(data, view->as.far.prefix, 4) != 0) return false;
    } else {
        for (int i = view->length; i < 12; i++) {
            if (view->as.inlined[i]) return false;
        }
    }
    out->as.text.length = (size_t)view->length;
    out->as.text.data = arena_copy(arena, data, (size_t)view->length);
    return out->as.text.data != NULL;
}

static void fixed16_read(const char *data, TribValue *out) {
    int16_t small;
    memcpy(&out->as.instant.us, data, 8);
    if (out->type.id == TRIB_TYPE_TIMESTAMP) {
        memcpy(&out->as.instant.ns, data + 8, 4);
        return;
    }
    memcpy(&out->as.instant.zone, data + 8, 2);
    memcpy(&small, data + 10, 2);
    out->as.instant.ns = small;
}

static bool cell_read(const struct ArrowArray *array, TribType type, int64_t row, Arena *arena,
                      TribValue *out);

/* Values begin .. end of the children, turn by turn: an array's elements, a map's keys and values. */
static bool items_read(struct ArrowArray *const *children, const TribTypeFields *fields,
                       uint32_t nchildren, int64_t begin, int64_t end, Arena *arena,
                       TribValue *out) {
    size_t count = (size_t)(end - begin) * nchildren, at = 0;
    TribValue *values = ARENA_ARRAY(arena, TribValue, count + 1);
    if (!values) abort();
    out->as.items.values = values;
    out->as.items.count = count;
    for (int64_t i = begin; i < end; i++) {
        for (uint32_t k = 0; k < nchildren; k++) {
            if (i >= children[k]->length) return false;
            if (!cell_read(children[k], fields->field[k].type, children[k]->offset + i, arena,
                           &values[at++]))
                return false;
        }
    }
    return true;
}

static bool nested_read(const struct ArrowArray *array, BatchLayout layout, int64_t row,
                        Arena *arena, TribValue *out) {
    const TribTypeFields *fields = out->type.fields;
    if (layout == BATCH_ROW)
        return array->n_children == fields->count &&
               items_read(array->children, fields, fields->count, row, row + 1, arena, out);
    const int32_t *ends = array->buffers[1];
    const struct ArrowArray *child = array->n_children == 1 ? array->children[0] : NULL;
    if (!child || ends[row] < 0 || ends[row] > ends[row + 1] || ends[row + 1] > child->length)
        return false;
    if (out->type.id == TRIB_TYPE_ARRAY)
        return items_read(array->children, fields, 1, ends[row], ends[row + 1], arena, out);
    if (child->n_children != 2 || child->null_count != 0) return false;
    return items_read(child->children, fields, 2, child->offset + ends[row],
                      child->offset + ends[row + 1], arena, out);
}

static bool value_read(const struct ArrowArray *array, BatchLayout layout, int64_t row,
                       Arena *arena, TribValue *out) {
    if (layout >= BATCH_LIST) return nested_read(array, layout, row, arena, out);
    const void *values = array->buffers[1];
    switch (layout) {
    case BATCH_BITS:
        out->as.integer = ((const uint8_t *)values)[row >> 3] >> (row & 7) & 1;
        return true;
    case BATCH_INT8: out->as.integer = ((const int8_t *)values)[row]; return true;
    case BATCH_INT16: out->as.integer = ((const int16_t *)values)[row]; return true;
    case BATCH_INT32: out->as.integer = ((const int32_t *)values)[row]; return true;
    case BATCH_INT64: out->as.integer = ((const int64_t *)values)[row]; return true;
    case BATCH_INT128: memcpy(&out->as.wide, (const char *)values + row * 16, 16); return true;
    case BATCH_FLOAT: out->as.real = (double)((const float *)values)[row]; return true;
    case BATCH_DOUBLE: out->as.real = ((const double *)values)[row]; return true;
    case BATCH_FIXED16:
        if (out->type.id == TRIB_TYPE_UUID) {
            out->as.text.data = arena_copy(arena, (const char *)values + row * 16, 16);
            out->as.text.length = 16;
        } else {
            fixed16_read((const char *)values + row * 16, out);
        }
        return true;
    case BATCH_VIEW: return view_read(array, row, arena, out);
    default: return false;
    }
}

static bool cell_read(const struct ArrowArray *array, TribType type, int64_t row, Arena *arena,
                      TribValue *out) {
    BatchLayout layout;
    uint32_t width;
    const uint8_t *validity = array->buffers[0];
    memset(out, 0, sizeof *out);
    out->type = type;
    out->is_null = validity && !(validity[row >> 3] >> (row & 7) & 1);
    if (out->is_null) return true;
    return batch_layout(type, &layout, &width) && value_read(array, layout, row, arena, out);
}

static bool column_check(const struct ArrowArray *array, BatchLayout layout, int64_t rows) {
    int64_t nulls = 0;
    bool shape = layout == BATCH_VIEW  ? array->n_buffers >= 3
                 : layout == BATCH_ROW ? array->n_buffers == 1
                                       : array->n_buffers == 2;
    if (!CHECK(array->release != NULL, "a child without release")) return false;
    if (!CHECK(array->length == rows, "a child of another length")) return false;
    if (!CHECK(shape, "a child with %lld buffers", (long long)array->n_buffers)) return false;
    bool values = layout == BATCH_ROW || rows == 0 || array->buffers[1];
    if (!CHECK(values, "a child without values")) return false;
    const uint8_t *validity = array->buffers[0];
    for (int64_t i = array->offset; validity && i < array->offset + rows; i++)
        nulls += !(validity[i >> 3] >> (i & 7) & 1);
    if (array->null_count >= 0) {
        return CHECK(array->null_count == nulls, "null_count is %lld, there are %lld",
                     (long long)array->null_count, (long long)nulls);
    }
    return true;
}

bool rows_append(Rows *self, const TribBatch *batch) {
    const struct ArrowArray *array = &batch->array;
    if (!CHECK(array->n_children == self->ncolumns, "a batch of %lld columns instead of %u",
               (long long)array->n_children, self->ncolumns))
        return false;
    for (uint32_t c = 0; c < self->ncolumns; c++) {
        BatchLayout layout;
        uint32_t width;
        if (!CHECK(batch_layout(self->types[c], &layout, &width),
                   "a type that the suite cannot read"))
            return false;
        if (!column_check(array->children[c], layout, array->length)) return false;
    }
    int64_t rows = batch->selection ? batch->selected : array->length;
    for (int64_t r = 0; r < rows; r++) {
        int64_t at = array->offset + (batch->selection ? batch->selection[r] : r);
        TribValue *row = rows_room(self);
        for (uint32_t c = 0; c < self->ncolumns; c++) {
            const struct ArrowArray *child = array->children[c];
            if (!CHECK(cell_read(child, self->types[c], child->offset + at, self->arena, &row[c]),
                       "a value that points outside its buffers"))
                return false;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- values */

static bool is_text(TribType type) {
    return type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR ||
           type.id == TRIB_TYPE_VARBINARY || type.id == TRIB_TYPE_JSON || type.id == TRIB_TYPE_UUID;
}

static bool is_real(TribType type) {
    return type.id == TRIB_TYPE_DOUBLE || type.id == TRIB_TYPE_REAL;
}

static bool is_instant(TribType type) {
    return type.id == TRIB_TYPE_TIMESTAMP_TZ ||
           (type.id == TRIB_TYPE_TIMESTAMP && type.precision > 6);
}

__int128 value_integer(const TribValue *value) {
    if (value->type.id == TRIB_TYPE_DECIMAL && value->type.precision > 18) return value->as.wide;
    return value->as.integer;
}

static __int128 power_of_ten(int exponent) {
    __int128 power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

/* Whole parts first: brought to one scale, 38 digits before the point and 38 behind would not fit. */
static int scaled_compare(const TribValue *a, const TribValue *b) {
    int a_scale = a->type.id == TRIB_TYPE_DECIMAL ? a->type.scale : 0;
    int b_scale = b->type.id == TRIB_TYPE_DECIMAL ? b->type.scale : 0;
    int scale = a_scale > b_scale ? a_scale : b_scale;
    __int128 x = value_integer(a), y = value_integer(b);
    __int128 x_unit = power_of_ten(a_scale), y_unit = power_of_ten(b_scale);
    if (x / x_unit != y / y_unit) return x / x_unit > y / y_unit ? 1 : -1;
    x = x % x_unit * power_of_ten(scale - a_scale);
    y = y % y_unit * power_of_ten(scale - b_scale);
    return (x > y) - (x < y);
}

/* char(n): as if both were padded with blanks. */
static int padded_compare(const TribValue *a, const TribValue *b) {
    size_t most = a->as.text.length > b->as.text.length ? a->as.text.length : b->as.text.length;
    for (size_t i = 0; i < most; i++) {
        unsigned char x = i < a->as.text.length ? (unsigned char)a->as.text.data[i] : ' ';
        unsigned char y = i < b->as.text.length ? (unsigned char)b->as.text.data[i] : ' ';
        if (x != y) return x < y ? -1 : 1;
    }
    return 0;
}

static int cell_compare(const TribValue *a, const TribValue *b);

static int items_compare(const TribValue *a, const TribValue *b) {
    size_t x = a->as.items.count, y = b->as.items.count;
    for (size_t i = 0; i < x && i < y; i++) {
        int order = cell_compare(&a->as.items.values[i], &b->as.items.values[i]);
        if (order) return order;
    }
    return (x > y) - (x < y);
}

static bool is_nested(TribType type) {
    return type.id == TRIB_TYPE_ARRAY || type.id == TRIB_TYPE_MAP || type.id == TRIB_TYPE_ROW;
}

int value_compare(const TribValue *a, const TribValue *b) {
    if (is_nested(a->type)) return items_compare(a, b);
    if (a->type.id == TRIB_TYPE_CHAR) return padded_compare(a, b);
    if (is_text(a->type)) {
        return str_compare((Str){a->as.text.data, a->as.text.length},
                           (Str){b->as.text.data, b->as.text.length});
    }
    if (is_real(a->type)) {
        if (isnan(a->as.real) || isnan(b->as.real)) return isnan(a->as.real) - isnan(b->as.real);
        return (a->as.real > b->as.real) - (a->as.real < b->as.real);
    }
    if (is_instant(a->type)) {
        if (a->as.instant.us != b->as.instant.us)
            return a->as.instant.us > b->as.instant.us ? 1 : -1;
        return (a->as.instant.ns > b->as.instant.ns) - (a->as.instant.ns < b->as.instant.ns);
    }
    return scaled_compare(a, b);
}

void value_print(Buf *out, const TribValue *value) {
    sql_value_text(out, value);
}

/* Total order of rows, for sorting: NULL first; -0.0 and 0.0 differ. */
static int cell_compare(const TribValue *a, const TribValue *b) {
    if (a->is_null || b->is_null) return (int)b->is_null - (int)a->is_null;
    int order = value_compare(a, b);
    if (order == 0 && is_real(a->type)) order = !!signbit(b->as.real) - !!signbit(a->as.real);
    if (order == 0 && a->type.id == TRIB_TYPE_TIMESTAMP_TZ)
        order = a->as.instant.zone - b->as.instant.zone;
    return order;
}

static uint32_t sort_columns; /* qsort has no context; one thread */

static int row_compare(const void *left, const void *right) {
    const TribValue *a = *(const TribValue *const *)left, *b = *(const TribValue *const *)right;
    for (uint32_t i = 0; i < sort_columns; i++) {
        int order = cell_compare(&a[i], &b[i]);
        if (order) return order;
    }
    return 0;
}

static const TribValue **rows_sorted(const Rows *rows) {
    const TribValue **list = ARENA_ARRAY(rows->arena, const TribValue *, rows->count);
    if (!list) abort();
    for (size_t i = 0; i < rows->count; i++) list[i] = rows_at(rows, i);
    sort_columns = rows->ncolumns;
    if (rows->count > 1) qsort(list, rows->count, sizeof *list, row_compare);
    return list;
}

bool rows_within(const Rows *a, const Rows *b) {
    if (a->count > b->count) return false;
    const TribValue **x = rows_sorted(a), **y = rows_sorted(b);
    size_t at = 0;
    sort_columns = a->ncolumns;
    for (size_t i = 0; i < a->count; i++, at++) {
        while (at < b->count && row_compare(&y[at], &x[i]) < 0) at++;
        if (at == b->count || row_compare(&y[at], &x[i]) != 0) return false;
    }
    return true;
}

bool rows_equal(const Rows *a, const Rows *b) {
    return a->count == b->count && rows_within(a, b);
}
