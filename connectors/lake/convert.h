/*
 * convert.h - a column of texts becomes a column of values: the kernels that all text formats share.
 *
 * A format points at its fields (no copies), one Field per row, and a kernel of the column's type reads
 * them straight into the batch's buffers. A text that is no value of the type stops the kernel: the
 * caller says where it stands, or makes it NULL and goes on behind it.
 */
#ifndef TRIB_LAKE_CONVERT_H
#define TRIB_LAKE_CONVERT_H

#include "connectors/support/batch_builder.h"

enum {
    FIELD_NULL = 1,
    FIELD_QUOTED = 2,  /* stood in quotes (CSV), or is a string (JSON) */
    FIELD_MISSING = 4, /* not there at all: NULL */
    FIELD_JSON = 8,    /* known to be valid JSON */
};

/* Text of one field; valid UTF-8. 16 bytes may be read at data: buffers are padded. */
typedef struct Field {
    const char *data;
    uint32_t len;
    uint32_t flags;
} Field;

enum { FIELD_PADDING = 64 };

/* How a kernel ended before its last field. */
typedef enum { CONVERT_DONE, CONVERT_MISMATCH, CONVERT_FAILED } ConvertResult;

typedef struct Convert {
    BatchBuilder *builder;
    BatchColumn *column;
    uint32_t row; /* of the batch: where fields[0] goes */
    const Field *fields;
    uint32_t count;
    uint32_t done;   /* out: fields converted; the one at [done] is what did not fit */
    const char *why; /* out: MISMATCH: what is wrong with it, static */
    Error *err;      /* out: FAILED */
} Convert;

/* NULL: columns of that type cannot be read from text. */
typedef ConvertResult (*ConvertKernel)(Convert *convert);
ConvertKernel convert_kernel(TribType type);

/* One text as a value of a type, for partition columns. The value's text borrows from `text` or lives in
 * the arena. false: it is none; *why says what is wrong. */
bool convert_value(Arena *arena, Str text, TribType type, TribValue *out, const char **why);

#endif
