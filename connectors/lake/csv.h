/*
 * csv.h - inside the CSV format: blocks of a file with their records found.
 *
 * A CsvBlocks reads a file (or a range that begins at a record) block by block; csv_blocks_next gives
 * whole records, checked for their number of fields and for UTF-8. One thread.
 */
#ifndef TRIB_LAKE_CSV_H
#define TRIB_LAKE_CSV_H

#include "connectors/lake/format.h"

enum { CSV_BLOCK_BYTES = 1024 * 1024, CSV_FIELDS_MAX = 100000 };

typedef struct CsvBlocks {
    const FormatParams *params;
    Stream *stream;
    CsvScanner scanner;
    char *data;
    size_t len, room;
    uint64_t base;        /* offset in the (decoded) file of data[0] */
    size_t consumed;      /* records before this offset were handed out */
    size_t checked;       /* rows of the scanner that are known to be sound */
    uint32_t fields;      /* of each record; 0 = not checked */
    bool ended;           /* the stream is: nothing follows the data */
    CsvScanResult failed; /* behind the rows that are there; told when they are done */
} CsvBlocks;

Status csv_blocks_open(CsvBlocks *self, const FormatParams *params, Error *err) WARN_UNUSED;
void csv_blocks_close(CsvBlocks *self);
/* Skips the lines and the byte order mark that stand before the records at a file's beginning. */
Status csv_blocks_prologue(CsvBlocks *self, Error *err) WARN_UNUSED;
/* *count records, at most `wanted`, stand at scanner.rows[0..count); 0 at the end. They stay valid until
 * csv_blocks_done(count) was called and the next ones are asked for. */
Status csv_blocks_next(CsvBlocks *self, uint32_t wanted, uint32_t *count, Error *err) WARN_UNUSED;
void csv_blocks_done(CsvBlocks *self, uint32_t count);

/* Field `column` of row `row`, quotes still on. */
static inline Str csv_raw(const CsvScanner *scanner, const CsvRow *row, uint32_t column,
                          bool last) {
    const uint32_t *ends = scanner->ends + row->first + column;
    uint32_t begin = column ? ends[-1] + 1 : row->start, end = ends[0];
    if (last && end > begin && scanner->data[end - 1] == '\r') end--;
    return (Str){scanner->data + begin, end - begin};
}
/* What a raw field says: quotes off, escapes resolved (on the arena), NULL told. `text`: whether its column
 * is of text, where a quoted null text is a text. */
Status csv_field(const Shape *shape, Str raw, bool text, Arena *arena, Field *out,
                 Error *err) WARN_UNUSED;

/* csv_split.c, csv_sniff.c */
Status csv_boundary(const FormatParams *params, uint64_t at, uint64_t *out, Error *err);
Status csv_sample(const FormatParams *params, Shape *shape, uint64_t rows, const SampleVisit *visit,
                  Error *err);

#endif
