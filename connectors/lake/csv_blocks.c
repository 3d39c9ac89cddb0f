/*
 * csv_blocks.c - a CSV file as blocks of whole records.
 *
 * The buffer holds one block; what is left of a record at its end moves to the front and is read again
 * with what follows, so that a block always begins at a record. A record that fills the whole buffer
 * doubles it, up to the limit of a value. A range that ends before its file does must end with a record:
 * if it does not, the quotes of the file do not balance and the query fails.
 *
 * Memory: one block and the scanner's arrays, from the host. One thread.
 */
#include <inttypes.h>

#include "connectors/lake/csv.h"

Status csv_blocks_open(CsvBlocks *self, const FormatParams *params, Error *err) {
    *self = (CsvBlocks){.params = params, .base = params->range.begin};
    csv_scan_init(&self->scanner, params->host, params->shape->dialect);
    self->room = format_block(params, CSV_BLOCK_BYTES);
    self->data = host_alloc(params->host, self->room + FIELD_PADDING);
    Status status =
        self->data ? format_stream(params, &self->stream, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        csv_blocks_close(self);
        return status;
    }
    memset(self->data, 0, FIELD_PADDING);
    csv_scan_reset(&self->scanner, self->data, 0);
    return TRIB_OK;
}

void csv_blocks_close(CsvBlocks *self) {
    stream_close(self->stream);
    host_free(self->params->host, self->data);
    csv_scan_clear(&self->scanner);
    self->stream = NULL;
    self->data = NULL;
}

/* ---------------------------------------------------------------- faults */

static Status ragged_fault(const CsvBlocks *self, const CsvRow *row, size_t fields, Error *err) {
    char place[FORMAT_PLACE_BYTES];
    format_place(self->params, self->base + row->start, place, sizeof place);
    error_set(err, ERR_MISMATCH, "%s: the record has %zu fields, not %u", place, fields,
              self->fields);
    return error_hint(err, "the delimiter and the quote character are options of the table");
}

static Status scan_fault(const CsvBlocks *self, CsvScanResult result, Error *err) {
    char place[FORMAT_PLACE_BYTES];
    format_place(self->params, self->base + self->scanner.fault, place, sizeof place);
    if (result == CSV_BAD_QUOTE) {
        error_set(err, ERR_MISMATCH, "%s: text behind the quote that closes a field", place);
        return error_hint(err, "quotes within quotes are doubled, or escaped by the character "
                               "that the option escape names");
    }
    if (result == CSV_MANY_FIELDS) {
        return error_set(err, ERR_MISMATCH, "%s: the record has more than %u fields", place,
                         self->fields ? self->fields : CSV_FIELDS_MAX);
    }
    return error_set(err, ERR_MISMATCH, "%s: a quote opens a field that never ends", place);
}

static Status long_fault(const CsvBlocks *self, uint64_t offset, Error *err) {
    char place[FORMAT_PLACE_BYTES];
    format_place(self->params, offset, place, sizeof place);
    error_set(err, ERR_LIMIT, "%s: a value is longer than max_value_size, %" PRIu64 " bytes", place,
              self->params->shape->max_value);
    return error_hint(err, "an open quote or a wrong delimiter makes long values too");
}

static Status encoding_fault(const CsvBlocks *self, size_t from, size_t to, Error *err) {
    char place[FORMAT_PLACE_BYTES];
    size_t at = from;
    while (at < to && utf8_next(self->data, to, &at) >= 0) continue;
    format_place(self->params, self->base + at - 1, place, sizeof place);
    error_set(err, ERR_INVALID_ENCODING, "%s: the byte 0x%02X is not valid UTF-8", place,
              (unsigned char)self->data[at - 1]);
    return error_hint(err, "files are read as UTF-8; convert them first (iconv)");
}

/* ---------------------------------------------------------------- blocks */

static Status block_grow(CsvBlocks *self, Error *err) {
    /* A record may hold several values of the greatest length before it is too long as well. */
    uint64_t most = self->params->shape->max_value * 2 + CSV_BLOCK_BYTES;
    char *larger;
    if (most > UINT32_MAX / 2) most = UINT32_MAX / 2;
    if (self->room >= most) return long_fault(self, self->base, err);
    size_t room = self->room < CSV_BLOCK_BYTES / 2 ? CSV_BLOCK_BYTES : self->room * 2;
    if (room > most) room = (size_t)most;
    TRY_ALLOC(larger, host_alloc(self->params->host, room + FIELD_PADDING), err);
    memcpy(larger, self->data, self->len);
    memset(larger + self->len, 0, room + FIELD_PADDING - self->len);
    host_free(self->params->host, self->data);
    self->data = larger;
    self->room = room;
    return TRIB_OK;
}

/* Moves the open record to the front, fills the block up and scans from its beginning. */
static Status block_fill(CsvBlocks *self, Error *err) {
    size_t keep = self->len - self->consumed, got;
    if (keep == self->room) TRY(block_grow(self, err));
    if (self->consumed) memmove(self->data, self->data + self->consumed, keep);
    self->base += self->consumed;
    self->consumed = 0;
    TRY(stream_read(self->stream, self->data + keep, self->room - keep, &got, err));
    self->ended = got < self->room - keep;
    self->len = keep + got;
    memset(self->data + self->len, 0, FIELD_PADDING);
    csv_scan_reset(&self->scanner, self->data, self->len);
    self->checked = 0;
    return TRIB_OK;
}

static bool row_blank(const CsvScanner *scanner, const CsvRow *row) {
    uint32_t end = scanner->ends[row->first];
    return end == row->start || (end == row->start + 1 && scanner->data[row->start] == '\r');
}

/* Checks the rows that the last scan brought; blank lines between records of several fields go. */
static Status rows_check(CsvBlocks *self, Error *err) {
    CsvScanner *scanner = &self->scanner;
    uint32_t fields = self->fields;
    size_t to = self->checked;
    if (scanner->high) {
        size_t from = scanner->rows[self->checked].start, end = scanner->rows[scanner->nrows].start;
        if (!utf8_valid(self->data + from, end - from)) return encoding_fault(self, from, end, err);
    }
    for (size_t i = self->checked; i < scanner->nrows; i++) {
        CsvRow row = scanner->rows[i];
        uint32_t count = scanner->rows[i + 1].first - row.first;
        if (fields && __builtin_expect(count != fields, 0)) {
            if (count != 1 || !row_blank(scanner, &row))
                return ragged_fault(self, &row, count, err);
            continue;
        }
        scanner->rows[to++] = row;
    }
    scanner->rows[to] = scanner->rows[scanner->nrows];
    scanner->nrows = self->checked = to;
    return TRIB_OK;
}

/* At the end of a range: does a record end here too? */
static Status range_check(const CsvBlocks *self, Error *err) {
    const StoreRange *range = &self->params->range;
    const CsvScanner *scanner = &self->scanner;
    if (range->end == range->object->size) return TRIB_OK;
    if (scanner->rows[scanner->nrows].start == self->len && scanner->state == CSV_START)
        return TRIB_OK;
    error_set(err, ERR_MISMATCH, "%s%s: the quotes around byte %" PRIu64 " do not balance",
              self->params->store->scheme, range->object->key, range->end);
    return error_hint(err, "quoted_newlines=false reads every line as a record");
}

Status csv_blocks_next(CsvBlocks *self, uint32_t wanted, uint32_t *count, Error *err) {
    CsvScanner *scanner = &self->scanner;
    *count = 0;
    if (self->checked < scanner->nrows) TRY(rows_check(self, err));
    while (scanner->nrows == 0) {
        if (self->failed) return scan_fault(self, self->failed, err);
        if (scanner->at == self->len) { /* the block is used up */
            if (self->ended) return TRIB_OK;
            TRY(block_fill(self, err));
        }
        bool whole = self->params->range.end == self->params->range.object->size;
        uint32_t most = self->fields ? self->fields : CSV_FIELDS_MAX;
        CsvScanResult result = csv_scan(scanner, wanted, most, self->ended && whole);
        if (result == CSV_NO_MEMORY) return error_out_of_memory(err);
        if (result > CSV_MORE) self->failed = result;
        TRY(rows_check(self, err));
        if (result == CSV_MORE && self->ended) TRY(range_check(self, err));
        if (scanner->nrows == 0) self->consumed = scanner->rows[0].start;
    }
    *count = scanner->nrows < wanted ? (uint32_t)scanner->nrows : wanted;
    return TRIB_OK;
}

void csv_blocks_done(CsvBlocks *self, uint32_t count) {
    csv_scan_drop(&self->scanner, count);
    self->checked -= count;
    self->consumed = self->scanner.rows[0].start;
}

Status csv_blocks_prologue(CsvBlocks *self, Error *err) {
    size_t skip = 0;
    if (self->base != 0) return TRIB_OK;
    TRY(block_fill(self, err));
    if (self->len >= 3 && memcmp(self->data, "\xEF\xBB\xBF", 3) == 0) skip = 3;
    if (self->len >= 2 &&
        (memcmp(self->data, "\xFF\xFE", 2) == 0 || memcmp(self->data, "\xFE\xFF", 2) == 0)) {
        error_set(err, ERR_INVALID_ENCODING, "%s%s is UTF-16: files are read as UTF-8",
                  self->params->store->scheme, self->params->range.object->key);
        return error_hint(err, "convert it first (iconv -f UTF-16 -t UTF-8)");
    }
    for (uint32_t i = 0; i < self->params->shape->skip_lines; i++) {
        const char *newline = NULL;
        while (!(newline = memchr(self->data + skip, '\n', self->len - skip))) {
            if (self->ended) break;
            self->consumed = skip;
            TRY(block_fill(self, err));
            skip = 0;
        }
        skip = newline ? (size_t)(newline - self->data) + 1 : self->len;
    }
    self->consumed = skip;
    if (skip == 0) return TRIB_OK; /* the block as it is */
    bool ended = self->ended;      /* a full block tells nothing about what follows */
    TRY(block_fill(self, err));
    self->ended = self->ended || ended;
    return TRIB_OK;
}
