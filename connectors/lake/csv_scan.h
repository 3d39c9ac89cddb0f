/*
 * csv_scan.h - finds where the fields and records of CSV text end.
 *
 * The rules: a record ends with LF (a CR before it belongs to the end), fields are separated by the
 * delimiter. A field that begins with the quote character reaches to the next one that is not doubled
 * (or escaped, where the dialect has an escape character) and must be followed by a delimiter or the
 * record's end. A quote within a field that does not begin with one stands for itself. Without a quote
 * character the escape character may stand before any character.
 *
 * A scanner works on a block of bytes that begins at a record and gives offsets into it: ends[] of
 * fields, rows[] of whole records. It goes on where it stopped. One thread.
 */
#ifndef TRIB_LAKE_CSV_SCAN_H
#define TRIB_LAKE_CSV_SCAN_H

#include "connectors/support/call.h"
#include "engine/base/text.h"

typedef struct CsvDialect {
    char delimiter, quote, escape;
    bool has_quote;
    bool has_escape; /* an escape character other than the quote */
} CsvDialect;

typedef enum {
    CSV_START,  /* at the beginning of a field */
    CSV_FIELD,  /* in a field without quotes */
    CSV_QUOTED, /* in quotes */
    CSV_CLOSED, /* behind a quote that closes, unless another one follows */
    CSV_CR,     /* behind a CR behind a closing quote */
    CSV_FIELD_ESCAPE,
    CSV_QUOTED_ESCAPE
} CsvState;

/* One whole record: where it begins, and the index in ends[] of its first field's end. */
typedef struct CsvRow {
    uint32_t start, first;
} CsvRow;

typedef struct CsvScanner {
    CsvDialect dialect;
    const TribHost *host;
    const char *data; /* padded by 64 readable bytes */
    size_t len, at;
    CsvState state;
    bool high; /* a byte above 0x7F was seen since csv_scan_reset */
    uint32_t *ends;
    size_t nends, ends_room;
    CsvRow *rows; /* nrows whole records; rows[nrows] is the one that has begun */
    size_t nrows, rows_room;
    size_t fault; /* offset of what breaks the rules, see csv_scan */
} CsvScanner;

typedef enum {
    CSV_OK,
    CSV_MORE,        /* the data is used up */
    CSV_BAD_QUOTE,   /* text behind a closing quote, at `fault` */
    CSV_OPEN_QUOTE,  /* the data ends within quotes; `fault` = its record's beginning */
    CSV_MANY_FIELDS, /* a record has more than `max_fields` of them */
    CSV_NO_MEMORY
} CsvScanResult;

void csv_scan_init(CsvScanner *self, const TribHost *host, CsvDialect dialect);
void csv_scan_clear(CsvScanner *self);
/* A new block, scanned from its beginning. */
void csv_scan_reset(CsvScanner *self, const char *data, size_t len);
/* Forgets the first `count` rows; the rest move to the front. */
void csv_scan_drop(CsvScanner *self, size_t count);
/*
 * Scans until there are `wanted` rows (OK) or the data is used up (MORE). `final`: nothing follows the
 * data, its end ends a record that has begun.
 */
CsvScanResult csv_scan(CsvScanner *self, size_t wanted, size_t max_fields, bool final);

#endif
