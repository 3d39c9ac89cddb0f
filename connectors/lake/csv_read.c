/*
 * csv_read.c - records become columns: only the fields that are wanted are looked at.
 *
 * For each batch and each column its fields are gathered (quotes off, NULL told) and handed to the
 * column's kernel. Where a file has a header its names decide which field is which column, file by file;
 * otherwise positions do. Resolved escapes live in an arena that is reset with every batch.
 */
#include "connectors/lake/csv.h"

#include <inttypes.h>

struct FormatFile {
    FormatParams params; /* the blocks point at it */
    CsvBlocks blocks;
    bool open;
    Arena *arena, *scratch; /* of the file, of the batch */
    uint32_t *fields;       /* per column: which field of the record it is */
    Field *gathered;
    uint32_t gathered_room;
};

/* ---------------------------------------------------------------- one field */

/* Resolves doubled quotes and escapes of a field whose outer quotes are off. */
static size_t unescape(const CsvDialect *d, Str text, char *out) {
    size_t n = 0;
    char escape = d->has_escape ? d->escape : d->quote;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == escape && i + 1 < text.len) i++;
        out[n++] = text.data[i];
    }
    return n;
}

static Status field_unescape(const Shape *shape, Str text, Arena *arena, Field *out, Error *err) {
    char *copy;
    TRY_ALLOC(copy, arena_alloc(arena, text.len + FIELD_PADDING), err);
    out->len = (uint32_t)unescape(&shape->dialect, text, copy);
    out->data = copy;
    return TRIB_OK;
}

static inline bool is_null_text(const Shape *shape, Str text) {
    return text.len == shape->null_text.len &&
           (text.len == 0 || memcmp(text.data, shape->null_text.data, text.len) == 0);
}

Status csv_field(const Shape *shape, Str raw, bool text, Arena *arena, Field *out, Error *err) {
    const CsvDialect *d = &shape->dialect;
    *out = (Field){raw.data, (uint32_t)raw.len, 0};
    if (d->has_quote && raw.len >= 2 && raw.data[0] == d->quote) {
        Str inner = {raw.data + 1, raw.len - 2};
        char escape = d->has_escape ? d->escape : d->quote;
        out->flags = FIELD_QUOTED;
        out->data = inner.data;
        out->len = (uint32_t)inner.len;
        if (!text && is_null_text(shape, inner)) out->flags |= FIELD_NULL;
        if (inner.len && memchr(inner.data, escape, inner.len))
            return field_unescape(shape, inner, arena, out, err);
        return TRIB_OK;
    }
    if (is_null_text(shape, raw)) {
        out->flags = FIELD_NULL;
        return TRIB_OK;
    }
    if (!d->has_quote && d->has_escape && raw.len && memchr(raw.data, d->escape, raw.len))
        return field_unescape(shape, raw, arena, out, err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns of a file */

static Status column_missing(const FormatFile *self, const FormatColumn *column, Error *err) {
    error_set(err, ERR_MISMATCH, "%s%s has no column \"%s\"", self->params.store->scheme,
              self->params.range.object->key, column->name);
    return error_hint(err,
                      "files of one table need the same columns in their headers, in any order");
}

/* Finds each column among the names of the header. */
static Status columns_by_name(FormatFile *self, const CsvBlocks *header, Error *err) {
    const CsvRow *row = &header->scanner.rows[0];
    uint32_t count = header->scanner.rows[1].first - row->first;
    for (uint32_t c = 0; c < self->params.ncolumns; c++) {
        const FormatColumn *column = &self->params.columns[c];
        bool found = column->position >= 0;
        if (found) self->fields[c] = (uint32_t)column->position;
        /* The same name, else one that differs in case only. */
        for (uint32_t pass = 0; pass < 2 && !found; pass++) {
            for (uint32_t f = 0; f < count && !found; f++) {
                Field name;
                Str raw = csv_raw(&header->scanner, row, f, f + 1 == count);
                TRY(csv_field(self->params.shape, raw, true, self->scratch, &name, err));
                Str text = str_trim((Str){name.data, name.len});
                found = pass == 0 ? str_equal(text, str_from(column->name))
                                  : str_equal_fold(text, str_from(column->name));
                if (found) self->fields[c] = f;
            }
        }
        if (!found || self->fields[c] >= count) return column_missing(self, column, err);
    }
    self->blocks.fields = count;
    return TRIB_OK;
}

static Status header_read(FormatFile *self, CsvBlocks *from, Error *err) {
    uint32_t count;
    TRY(csv_blocks_next(from, 1, &count, err));
    if (count == 0) {
        if (self->params.range.object->size == 0) return TRIB_OK; /* no header, no rows */
        return error_set(err, ERR_MISMATCH, "%s%s: there is no header", self->params.store->scheme,
                         self->params.range.object->key);
    }
    TRY(columns_by_name(self, from, err));
    csv_blocks_done(from, 1);
    /* Rows that were scanned along with the header were not checked for their fields yet. */
    from->checked = 0;
    return TRIB_OK;
}

/* A range within the file: the header stands at the file's beginning. */
static Status header_elsewhere(FormatFile *self, Error *err) {
    FormatParams params = self->params;
    CsvBlocks blocks;
    StoreStats stats = {0};
    params.range.begin = 0;
    params.range.end = params.range.object->size;
    params.range.stats = &stats;
    params.range.peek = true;
    TRY(csv_blocks_open(&blocks, &params, err));
    Status status = csv_blocks_prologue(&blocks, err);
    if (status == TRIB_OK) status = header_read(self, &blocks, err);
    csv_blocks_close(&blocks);
    return status;
}

static Status file_columns(FormatFile *self, Error *err) {
    const Shape *shape = self->params.shape;
    bool begins = self->params.range.begin == 0;
    if (begins) TRY(csv_blocks_prologue(&self->blocks, err));
    if (shape->header == HEADER_YES)
        return begins ? header_read(self, &self->blocks, err) : header_elsewhere(self, err);
    self->blocks.fields = shape->fields;
    for (uint32_t c = 0; c < self->params.ncolumns; c++) {
        const FormatColumn *column = &self->params.columns[c];
        if (column->position < 0 || column->position >= shape->fields)
            return column_missing(self, column, err);
        self->fields[c] = (uint32_t)column->position;
    }
    return TRIB_OK;
}

static void csv_close(FormatFile *self) {
    if (!self) return;
    if (self->open) csv_blocks_close(&self->blocks);
    host_free(self->params.host, self->gathered);
    arena_free(self->scratch);
    arena_free(self->arena);
}

static Status csv_open(const FormatParams *params, FormatFile **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    FormatFile *self = ARENA_NEW(arena, FormatFile);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->params = *params;
    self->arena = arena;
    self->scratch = arena_new(NULL);
    self->fields = ARENA_ARRAY(arena, uint32_t, params->ncolumns);
    Status status = self->scratch && self->fields ? TRIB_OK : error_out_of_memory(err);
    if (status == TRIB_OK) status = csv_blocks_open(&self->blocks, &self->params, err);
    self->open = status == TRIB_OK;
    if (status == TRIB_OK) status = file_columns(self, err);
    if (status != TRIB_OK) {
        csv_close(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status csv_fault(void *context, uint32_t column, uint32_t index, const char *why,
                        Error *err) {
    FormatFile *self = context;
    const CsvScanner *scanner = &self->blocks.scanner;
    const Field *field = &self->gathered[index];
    const FormatColumn *target = &self->params.columns[column];
    char place[FORMAT_PLACE_BYTES], value[80];
    format_place(&self->params, self->blocks.base + scanner->rows[index].start, place,
                 sizeof place);
    format_value_text((Str){field->data, field->len}, value, sizeof value);
    error_set(err, ERR_MISMATCH, "%s, column \"%s\": '%s' is %s", place, target->name, value, why);
    return error_hint(err, "declare the column's type in the option columns, sample more rows "
                           "(sample_rows), or set on_mismatch to null or varchar");
}

/* The fields of one column. */
static Status column_gather(FormatFile *self, uint32_t column, uint32_t count, Error *err) {
    const CsvScanner *scanner = &self->blocks.scanner;
    const Shape *shape = self->params.shape;
    const CsvDialect *d = &shape->dialect;
    const CsvRow *rows = scanner->rows;
    TribType type = self->params.columns[column].type;
    uint32_t at = self->fields[column];
    bool last = at + 1 == self->blocks.fields;
    bool text = type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR;
    bool plain_null = shape->null_text.len == 0;
    bool escapes = !d->has_quote && d->has_escape;
    uint64_t limit = shape->max_value;
    for (uint32_t r = 0; r < count; r++) {
        Str raw = csv_raw(scanner, &rows[r], at, last);
        bool quoted = d->has_quote && raw.data[0] == d->quote && raw.len > 0;
        if (__builtin_expect(raw.len > limit, 0)) {
            char place[FORMAT_PLACE_BYTES];
            format_place(&self->params, self->blocks.base + rows[r].start, place, sizeof place);
            return error_set(err, ERR_LIMIT,
                             "%s: a value is longer than max_value_size, %" PRIu64 " bytes", place,
                             limit);
        }
        if (__builtin_expect(!quoted && plain_null && !escapes, 1)) {
            self->gathered[r] = (Field){raw.data, (uint32_t)raw.len, raw.len ? 0 : FIELD_NULL};
            continue;
        }
        TRY(csv_field(shape, raw, text, self->scratch, &self->gathered[r], err));
    }
    return TRIB_OK;
}

/* As many of the rows as make no more than a batch of bytes; at least one. */
static uint32_t rows_fitting(const FormatFile *self, uint32_t count) {
    const CsvScanner *scanner = &self->blocks.scanner;
    const BatchBuilder *builder = self->params.builder;
    uint64_t used = builder->rows * builder->row_width + builder->text_bytes;
    uint64_t room = builder->max_bytes > used ? builder->max_bytes - used : 1;
    uint32_t low = 1, high = count;
    if (self->params.ncolumns == 0) return count;
    while (low < high) { /* the rows' own bytes bound those of their texts */
        uint32_t middle = low + (high - low + 1) / 2;
        uint64_t bytes = scanner->rows[middle].start - scanner->rows[0].start;
        if (bytes + middle * builder->row_width > room)
            high = middle - 1;
        else
            low = middle;
    }
    return low;
}

static Status gather_room(FormatFile *self, uint32_t count, Error *err) {
    if (self->gathered_room >= count) return TRIB_OK;
    host_free(self->params.host, self->gathered);
    self->gathered_room = 0;
    TRY_ALLOC(self->gathered, host_alloc(self->params.host, count * sizeof(Field)), err);
    self->gathered_room = count;
    return TRIB_OK;
}

static Status csv_next(FormatFile *self, uint32_t max_rows, uint32_t *rows, Error *err) {
    uint32_t count;
    TRY(csv_blocks_next(&self->blocks, max_rows, &count, err));
    *rows = count;
    if (count == 0) return TRIB_OK;
    count = rows_fitting(self, count);
    TRY(gather_room(self, count, err));
    arena_reset(self->scratch);
    for (uint32_t c = 0; c < self->params.ncolumns; c++) {
        TRY(column_gather(self, c, count, err));
        TRY(format_convert(&self->params, c, self->gathered, count, csv_fault, self, err));
    }
    self->params.builder->rows += count;
    csv_blocks_done(&self->blocks, count);
    *rows = count;
    return TRIB_OK;
}

const Format format_csv = {
    .kind = FORMAT_CSV,
    .name = "csv",
    .endings = {".csv", ".tsv", ".psv", NULL},
    .boundary = csv_boundary,
    .open = csv_open,
    .next = csv_next,
    .close = csv_close,
    .sample = csv_sample,
};
