/*
 * fuzz_lake.c - libFuzzer harness of the files that the lake connector reads: CSV, JSON, gzip, zstd, and of
 * the lists that S3 sends.
 *
 * The first byte says what the rest is. A file is read whole and, where a cut is found, in two parts; both
 * must end the same way: the same rows, or an error with a message. Sampling it must not fail otherwise
 * than with a message. Texts in batches must be UTF-8.
 *
 *   tests/fuzz/fuzz_lake -max_len=4096 tests/fuzz/corpus/lake
 */
#include <stdio.h>
#include <stdlib.h>

#include "connectors/lake/infer.h"
#include "connectors/lake/store_s3.h"
#include "tests/fuzz/fuzz.h"

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_lake: %s\n", what);
    abort();
}

static void check_error(const Error *err) {
    check(err->message[0] && utf8_valid(err->message, strlen(err->message)), "no message");
    check(strlen(err->sqlstate) == 5, "no SQLSTATE");
}

/* ---------------------------------------------------------------- a store of one file in memory */

typedef struct MemoryReader {
    StoreReader base;
    const uint8_t *data;
    uint64_t at, end;
} MemoryReader;

static const uint8_t *file_data;

static Status memory_read(StoreReader *base, void *out, size_t size, size_t *got, Error *err) {
    MemoryReader *self = (MemoryReader *)base;
    uint64_t left = self->end - self->at;
    *got = left < size ? (size_t)left : size;
    if (*got > 37) *got = 37; /* short reads are allowed */
    if (*got) memcpy(out, self->data + self->at, *got);
    self->at += *got;
    return TRIB_OK;
}

static void memory_close(StoreReader *base) {
    heap_free(base);
}

static Status memory_open(Store *self, TribCall *call, const StoreRange *range, StoreReader **out,
                          Error *err) {
    MemoryReader *reader;
    TRY_ALLOC(reader, heap_alloc(sizeof *reader), err);
    *reader = (MemoryReader){{memory_read, memory_close}, file_data, range->begin, range->end};
    *out = &reader->base;
    return TRIB_OK;
}

static Store memory_store = {.scheme = "", .open = memory_open};

/* ---------------------------------------------------------------- reading */

typedef struct Outcome {
    bool ok;
    uint64_t rows, hash;
} Outcome;

static void batch_look(const BatchBuilder *builder, const TribBatch *batch, Outcome *out) {
    for (int64_t r = 0; r < batch->array.length; r++) {
        for (uint32_t c = 0; c < builder->ncolumns; c++) {
            const struct ArrowArray *child = batch->array.children[c];
            const uint64_t *validity = child->buffers[0];
            if (validity && !bitmap_get(validity, (size_t)r)) {
                out->hash = out->hash * 31 + 7;
                continue;
            }
            if (builder->columns[c].layout != BATCH_VIEW) continue;
            const BatchView *view = (const BatchView *)child->buffers[1] + r;
            const char *data =
                view->length <= 12
                    ? view->as.inlined
                    : (const char *)child->buffers[2 + view->as.far.block] + view->as.far.offset;
            check(utf8_valid(data, (size_t)view->length), "a text that is not UTF-8");
            for (int32_t i = 0; i < view->length; i++)
                out->hash = out->hash * 31 + (unsigned char)data[i];
        }
        out->rows++;
        out->hash = out->hash * 31 + 1;
    }
}

static void range_read(FormatParams params, uint64_t begin, uint64_t end, Outcome *out) {
    const Format *format = format_of(params.shape->format);
    FormatFile *file;
    Error err;
    uint32_t count = 1;
    params.range.begin = begin;
    params.range.end = end;
    error_clear(&err);
    Status status = format->open(&params, &file, &err);
    while (status == TRIB_OK && count) {
        TribBatch batch;
        status = batch_begin(params.builder, &err);
        if (status == TRIB_OK) status = format->next(file, params.builder->max_rows, &count, &err);
        if (status != TRIB_OK || count == 0) break;
        batch_finish(params.builder, &batch);
        batch_look(params.builder, &batch, out);
        batch.array.release(&batch.array);
    }
    if (status != TRIB_OK) check_error(&err);
    out->ok = out->ok && status == TRIB_OK;
    if (err.status != TRIB_OK && status == TRIB_OK) check(false, "an error that was swallowed");
    if (file) format->close(file);
}

static void file_sample(const FormatParams *params) {
    Arena *arena = arena_new(NULL);
    Shape shape = *params->shape;
    Infer *infer = infer_new(arena, shape.format == FORMAT_JSON);
    SampleVisit visit = infer_visit(infer);
    InferColumn *columns;
    uint32_t count;
    Error err;
    shape.delimiter_known = false;
    shape.header = HEADER_AUTO;
    shape.fields = 0;
    infer_file_begin(infer);
    if (format_of(shape.format)->sample(params, &shape, 50, &visit, &err) != TRIB_OK)
        check_error(&err);
    check(infer_finish(infer, &shape, &columns, &count, &err) == TRIB_OK,
          "types cannot be decided");
    for (uint32_t i = 0; i < count; i++)
        check(columns[i].name && convert_kernel(columns[i].type), "a column that cannot be read");
    arena_free(arena);
}

static void check_file(const uint8_t *data, size_t size, Shape shape) {
    static const TribType types[] = {{.id = TRIB_TYPE_VARCHAR}, {.id = TRIB_TYPE_BIGINT}};
    FormatColumn columns[] = {{"a", 0, types[0], 0, convert_kernel(types[0])},
                              {"b", 1, types[1], 1, convert_kernel(types[1])}};
    StoreObject object = {.key = "file", .size = size};
    StoreStats stats = {0};
    Mismatches mismatches = {0};
    BatchBuilder *builder;
    Error err;
    file_data = data;
    check(batch_builder_new(NULL, types, 2, 5, 1 << 20, &builder, &err) == TRIB_OK, "no builder");
    FormatParams params = {.catalog = "fuzz",
                           .store = &memory_store,
                           .shape = &shape,
                           .range = {&object, 0, size, &stats, false},
                           .columns = columns,
                           .ncolumns = 2,
                           .builder = builder,
                           .mismatches = &mismatches};
    Outcome whole = {.ok = true};
    range_read(params, 0, size, &whole);
    uint64_t cut = UINT64_MAX;
    const Format *format = format_of(shape.format);
    if (shape.codec == CODEC_NONE && size > 2 &&
        format->boundary(&params, size / 2, &cut, &err) != TRIB_OK)
        check_error(&err);
    if (cut != UINT64_MAX && cut > 0 && cut < size) {
        Outcome parts = {.ok = true};
        range_read(params, 0, cut, &parts);
        if (parts.ok) range_read(params, cut, size, &parts);
        check(!whole.ok || parts.ok, "a file that can be read, but not in parts");
        check(whole.ok || !parts.ok, "a file that can be read in parts only");
        if (whole.ok) check(whole.rows == parts.rows && whole.hash == parts.hash, "parts differ");
    }
    file_sample(&params);
    batch_builder_free(builder);
}

static void check_page(const uint8_t *data, size_t size) {
    Arena *arena = arena_new(NULL);
    S3Page page;
    Error err;
    if (s3_page_parse(arena, (Str){(const char *)data, size}, &page, &err) != TRIB_OK)
        check_error(&err);
    else
        for (uint32_t i = 0; i < page.count; i++)
            check(page.entries[i].key.len > 0 &&
                      (i == 0 || str_compare(page.entries[i - 1].key, page.entries[i].key) <= 0),
                  "keys out of order");
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    Shape shape = {.format = FORMAT_CSV,
                   .codec = CODEC_NONE,
                   .dialect = {.delimiter = ',', .quote = '"', .escape = '\\', .has_quote = true},
                   .delimiter_known = true,
                   .header = HEADER_NO,
                   .null_text = {"", 0},
                   .fields = 2,
                   .max_value = 1024,
                   .max_ratio = 1100,
                   .json_depth = 20,
                   .quoted_newlines = true};
    uint8_t kind = data[0];
    data++;
    size--;
    if (kind == 'x') {
        check_page(data, size);
        return 0;
    }
    if (kind == 'j' || kind == 'J') shape.format = FORMAT_JSON;
    if (kind == 'g') shape.codec = CODEC_GZIP;
    if (kind == 'z') shape.codec = CODEC_ZSTD;
    if (kind == 'e') shape.dialect.has_escape = true;
    if (kind == 'n') shape.dialect.has_quote = false, shape.dialect.has_escape = true;
    if (kind == 'h') shape.header = HEADER_YES, shape.fields = 0;
    if (kind == 'm' || kind == 'J') shape.on_mismatch = MISMATCH_NULL;
    if (kind == 's') shape.skip_lines = 1;
    check_file(data, size, shape);
    return 0;
}
