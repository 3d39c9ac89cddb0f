/*
 * lake_support.c - writes files below /tmp and reads them through the formats of the lake connector.
 */
#include "tests/unit/lake_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void check(bool good, const char *what) {
    if (good) return;
    fprintf(stderr, "lake_support: %s\n", what);
    abort();
}

void lake_file_write(LakeFile *self, const char *name, const void *data, size_t len) {
    memset(self, 0, sizeof *self);
    snprintf(self->path, sizeof self->path, "/tmp/tributary-lake-%d-%s", (int)getpid(), name);
    FILE *file = fopen(self->path, "wb");
    check(file && fwrite(data, 1, len, file) == len && fclose(file) == 0, "cannot write a file");
    Error err;
    Arena *arena = arena_new(NULL);
    check(store_local()->stat(store_local(), NULL, arena, self->path, &self->object, &self->stats,
                              &err) == TRIB_OK,
          "cannot look at a file");
    arena_free(arena);
}

void lake_file_remove(LakeFile *self) {
    unlink(self->path);
}

FormatParams lake_params(LakeFile *file, const Shape *shape) {
    return (FormatParams){.catalog = "lake",
                          .store = store_local(),
                          .shape = shape,
                          .range = {&file->object, 0, file->object.size, &file->stats, false}};
}

static void value_print(Buf *out, const BatchColumn *column, const struct ArrowArray *array,
                        int64_t row);

/* (a, b) */
static void fields_print(Buf *out, const BatchColumn *column, const struct ArrowArray *array,
                         int64_t row) {
    check(array->n_children == column->nchildren, "a row's fields are miscounted");
    for (uint32_t i = 0; i < column->nchildren; i++) {
        check(array->children[i]->length >= array->length, "a field is shorter than its row");
        buf_char(out, i ? ',' : '(');
        value_print(out, &column->children[i], array->children[i], row);
    }
    buf_char(out, ')');
}

/* {a b} */
static void list_print(Buf *out, const BatchColumn *column, const struct ArrowArray *array,
                       int64_t row) {
    const int32_t *offsets = array->buffers[1];
    check(offsets[row] <= offsets[row + 1] && offsets[row + 1] <= array->children[0]->length,
          "the ends of lists are wrong");
    buf_char(out, '{');
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
        if (i > offsets[row]) buf_char(out, ' ');
        value_print(out, &column->children[0], array->children[0], i);
    }
    buf_char(out, '}');
}

static void value_print(Buf *out, const BatchColumn *column, const struct ArrowArray *array,
                        int64_t row) {
    const uint64_t *validity = array->buffers[0];
    const void *values = array->n_buffers > 1 ? array->buffers[1] : NULL;
    if (validity && !bitmap_get(validity, (size_t)row)) {
        buf_text(out, "NULL");
        return;
    }
    switch (column->layout) {
    case BATCH_LIST: list_print(out, column, array, row); return;
    case BATCH_ROW: fields_print(out, column, array, row); return;
    case BATCH_INT64: buf_printf(out, "%lld", (long long)((const int64_t *)values)[row]); return;
    case BATCH_DOUBLE: buf_printf(out, "%.17g", ((const double *)values)[row]); return;
    case BATCH_INT32: buf_printf(out, "%d", ((const int32_t *)values)[row]); return;
    case BATCH_BITS:
        buf_text(out, ((const uint8_t *)values)[row / 8] >> (row % 8) & 1 ? "true" : "false");
        return;
    default: break;
    }
    check(column->layout == BATCH_VIEW, "a column of another layout");
    const BatchView *view = (const BatchView *)values + row;
    const char *data = view->length <= 12 ? view->as.inlined
                                          : (const char *)array->buffers[2 + view->as.far.block] +
                                                view->as.far.offset;
    buf_add(out, data, (size_t)view->length);
}

static void rows_print(Buf *out, const BatchBuilder *builder, const struct ArrowArray *array) {
    for (int64_t r = 0; r < array->length; r++) {
        for (uint32_t c = 0; c < builder->ncolumns; c++) {
            buf_char(out, c ? '|' : '[');
            value_print(out, &builder->columns[c], array->children[c], r);
        }
        buf_text(out, "]\n");
    }
}

static Status range_read(FormatParams *params, Buf *out, size_t *rows, Error *err) {
    const Format *format = format_of(params->shape->format);
    FormatFile *file;
    uint32_t count = 1;
    TRY(format->open(params, &file, err));
    Status status = TRIB_OK;
    while (status == TRIB_OK && count) {
        TribBatch batch;
        status = batch_begin(params->builder, err);
        if (status == TRIB_OK) status = format->next(file, params->builder->max_rows, &count, err);
        if (status != TRIB_OK || count == 0) break;
        check(count == params->builder->rows, "rows are miscounted");
        *rows += count;
        batch_finish(params->builder, &batch);
        rows_print(out, params->builder, &batch.array);
        batch.array.release(&batch.array);
    }
    format->close(file);
    return status;
}

LakeText lake_read_columns(LakeFile *file, const Shape *shape, const FormatColumn *columns,
                           uint32_t ncolumns, uint64_t begin, uint64_t end) {
    LakeText result = {0};
    TribType *types = calloc(ncolumns + 1, sizeof *types);
    FormatColumn *mine = calloc(ncolumns + 1, sizeof *mine);
    FormatParams params = lake_params(file, shape);
    Mismatches mismatches = {0};
    Buf out;
    Error err;
    for (uint32_t i = 0; i < ncolumns; i++) {
        mine[i] = columns[i];
        mine[i].output = i;
        mine[i].kernel = convert_kernel(columns[i].type);
        types[i] = columns[i].type;
    }
    check(batch_builder_new(NULL, types, ncolumns, 7, 1 << 20, &params.builder, &err) == TRIB_OK,
          "no builder");
    params.columns = mine;
    params.ncolumns = ncolumns;
    params.mismatches = &mismatches;
    params.range.begin = begin;
    params.range.end = end;
    buf_init(&out, NULL, 64 << 20);
    error_clear(&err);
    if (range_read(&params, &out, &result.rows, &err) != TRIB_OK)
        snprintf(result.error, sizeof result.error, "%s", err.message);
    batch_builder_free(params.builder);
    result.text = strndup(out.data ? out.data : "", out.len);
    buf_clear(&out);
    free(types);
    free(mine);
    return result;
}

LakeText lake_read(LakeFile *file, const Shape *shape, uint32_t fields, uint64_t begin,
                   uint64_t end) {
    FormatColumn *columns = calloc(fields + 1, sizeof *columns);
    for (uint32_t i = 0; i < fields; i++)
        columns[i] =
            (FormatColumn){.name = "column", .position = i, .type = {.id = TRIB_TYPE_VARCHAR}};
    LakeText result = lake_read_columns(file, shape, columns, fields, begin, end);
    free(columns);
    return result;
}

void lake_text_free(LakeText *self) {
    free(self->text);
}
