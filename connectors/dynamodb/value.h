/*
 * value.h - values as DynamoDB has them, and as columns read them.
 *
 * An attribute value is a type and a text: S decoded, N as written, B in base64 as written, BOOL "true" or
 * "false", sets and documents the raw JSON of what stands under the type. Nothing here keeps memory.
 */
#ifndef TRIB_DYNAMODB_VALUE_H
#define TRIB_DYNAMODB_VALUE_H

#include "connectors/support/batch_builder.h"
#include "engine/base/json.h"

typedef enum {
    ATTR_NONE, /* the item has no such attribute */
    ATTR_S,
    ATTR_N,
    ATTR_B,
    ATTR_BOOL,
    ATTR_NULL,
    ATTR_SS,
    ATTR_NS,
    ATTR_BS,
    ATTR_M,
    ATTR_L
} AttrType;

typedef struct AttrValue {
    AttrType type;
    Str text;
} AttrValue;

/* How a column reads attributes. */
typedef enum {
    READ_TEXT,     /* S as varchar or a date */
    READ_NUMBER,   /* N as an integer, decimal, double or real */
    READ_BINARY,   /* B */
    READ_BOOL,     /* BOOL */
    READ_DOCUMENT, /* anything, as JSON */
    READ_ANY       /* anything, as text */
} ReadAs;

typedef enum { MISMATCH_NULL, MISMATCH_ERROR } Mismatch;

typedef struct ColumnInfo {
    Str name;
    TribType type;
    ReadAs read;
    Mismatch mismatch;
} ColumnInfo;

/* "S", "N" ...; ATTR_NONE if it is none of them. */
AttrType attr_type_parse(Str text);
const char *attr_type_name(AttrType type);

/* A decimal of any size that DynamoDB can hold: 0.digits * 10^exponent, digits without zeros at the ends. */
typedef struct Number {
    bool negative; /* not for 0 */
    uint8_t ndigits;
    char digits[40];
    int32_t exponent;
} Number;

/* false: no number, or one of more than 40 significant digits. */
bool number_parse(Str text, Number *out);
int number_compare(const Number *a, const Number *b);
/* The value times 10^scale, if that is a whole number within 38 digits. */
bool number_scaled(const Number *number, int scale, __int128 *out);

/* Decoded length and bytes of base64; false: it is not base64. `out` has room for text.len / 4 * 3. */
bool base64_decode(Str text, char *out, size_t *length);
void base64_encode(Buf *out, Str bytes);

typedef enum { FIT_NULL, FIT_GOOD, FIT_WRONG } Fit;

/* Does the column read this value, as NULL, as a value, or not at all? */
Fit value_fit(const ColumnInfo *column, const AttrValue *value);
/* May a value of the column's own attribute type be one that it cannot read (5.5 in a bigint)? */
bool column_is_strict(const ColumnInfo *column);
/* The attribute type of the column; ATTR_NONE for documents and mixed ones. */
AttrType column_attr(const ColumnInfo *column);
/*
 * Writes the value; *fit says whether it was one. Wrong and absent ones are written as NULL. `scratch`
 * is for JSON text. Errors: out of memory; a document nested too deeply.
 */
Status value_write(BatchBuilder *builder, uint32_t output, const ColumnInfo *column,
                   const AttrValue *value, Buf *scratch, Fit *fit, Error *err) WARN_UNUSED;
/* Appends a value as plain JSON: {"M": {"a": {"N": "1"}}} as {"a":1}. */
Status value_json(Buf *out, const AttrValue *value, Arena *arena, Error *err) WARN_UNUSED;

#endif
