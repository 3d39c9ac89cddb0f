/*
 * format.h - how the bytes of an object become rows: a table of formats and what a reader of one needs.
 *
 * Shape      everything about a table's files that decides how they are read; part of it is found by
 *            looking at them (describe.c) and travels in the table's facts.
 * FormatFile one object, or a part of it, with its rows on their way into a batch builder.
 */
#ifndef TRIB_LAKE_FORMAT_H
#define TRIB_LAKE_FORMAT_H

#include "connectors/lake/codec.h"
#include "connectors/lake/convert.h"
#include "connectors/lake/csv_scan.h"

typedef enum { FORMAT_AUTO, FORMAT_CSV, FORMAT_JSON } FormatKind;
typedef enum { HEADER_AUTO, HEADER_YES, HEADER_NO } Header;
typedef enum { MISMATCH_ERROR, MISMATCH_NULL, MISMATCH_VARCHAR } OnMismatch;

typedef struct Shape {
    FormatKind format;
    Codec codec;        /* AUTO: by each file's name */
    CsvDialect dialect; /* csv */
    bool delimiter_known;
    Header header;
    uint32_t skip_lines;
    Str null_text;
    uint32_t fields; /* csv without a header: of each record; 0 = not known yet */
    OnMismatch on_mismatch;
    uint64_t max_value; /* bytes of one value */
    uint32_t max_ratio;
    uint32_t json_depth;
    bool quoted_newlines;
} Shape;

/* A column that is read from the file, and where it goes. */
typedef struct FormatColumn {
    const char *name; /* in the file */
    int64_t position; /* csv: ordinal where names do not count, else -1 */
    TribType type;
    uint32_t output; /* column of the builder */
    ConvertKernel kernel;
} FormatColumn;

/* Values that became NULL because they did not fit; told once per scan. */
typedef struct Mismatches {
    uint64_t count;
    char first[256];
} Mismatches;

typedef struct FormatParams {
    const TribHost *host;
    const char *catalog;
    TribCall *call;
    Store *store;
    const Shape *shape;
    StoreRange range; /* of the object; begins at a record */
    const FormatColumn *columns;
    uint32_t ncolumns;
    BatchBuilder *builder;
    Mismatches *mismatches;
} FormatParams;

typedef struct FormatFile FormatFile;

/* What schema inference is shown: names first, then rows of as many fields. */
typedef struct SampleVisit {
    void *self;
    /* json: once per member of every object; csv: `index` is the ordinal. */
    Status (*field)(void *self, uint32_t index, Str name, const Field *field, Error *err);
    Status (*row)(void *self, Error *err); /* a row is complete */
} SampleVisit;

typedef struct Format {
    FormatKind kind;
    const char *name;
    const char *endings[5];
    /* Can byte ranges of plain files be read on their own? Finds the first record that begins at or after
     * `at`; UINT64_MAX where that cannot be told for certain. */
    Status (*boundary)(const FormatParams *params, uint64_t at, uint64_t *out, Error *err);
    Status (*open)(const FormatParams *params, FormatFile **out, Error *err);
    /* Appends at most max_rows rows to the builder's batch; *rows is 0 at the end. */
    Status (*next)(FormatFile *file, uint32_t max_rows, uint32_t *rows, Error *err);
    void (*close)(FormatFile *file);
    /* Shows at most `rows` rows from params->range on, after filling in what of the shape is not known. */
    Status (*sample)(const FormatParams *params, Shape *shape, uint64_t rows,
                     const SampleVisit *visit, Error *err);
} Format;

extern const Format format_csv, format_json;
const Format *format_of(FormatKind kind);
/* By the ending of a name, compression aside; NULL: unknown. *stem = the name without its endings. */
const Format *format_of_name(Str name, Str *stem);
Codec format_codec(const Shape *shape, const char *key);
/* Opens the bytes of the range (compressed: of the whole object). */
Status format_stream(const FormatParams *params, Stream **out, Error *err) WARN_UNUSED;
/* Bytes of a block: `most`, or the whole range and one more byte, so that its end is seen at once. */
size_t format_block(const FormatParams *params, size_t most);
/* Converts fields into one column, handling what does not fit as the shape says. `fault` is filled in by
 * the caller's describe function when the query has to fail. */
typedef Status (*FormatFault)(void *self, uint32_t column, uint32_t index, const char *why,
                              Error *err);
Status format_convert(const FormatParams *params, uint32_t column, const Field *fields,
                      uint32_t count, FormatFault fault, void *self, Error *err) WARN_UNUSED;
/* "FILE, line N" of an offset in the decoded file, found by counting; "FILE, byte N" if that fails. */
enum { FORMAT_PLACE_BYTES = 700 };
void format_place(const FormatParams *params, uint64_t offset, char *out, size_t size);
/* Appends a text for messages: at most 60 characters of it, control characters as dots. */
void format_value_text(Str value, char *out, size_t size);

#endif
