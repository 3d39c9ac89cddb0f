/*
 * json.h - a streaming reader of JSON (RFC 8259) that keeps numbers as text and positions of
 * tokens.
 *
 * Used for the configuration (comments allowed) and for rows. Strings are decoded (\u escapes,
 * surrogate pairs, \u0000 kept as a byte 0); invalid UTF-8, lone surrogates, depth beyond
 * `max_depth` are errors with line and column: CONFIGURATION where comments are accepted, else
 * 22018, 22021 or 54000. The text must outlive what is borrowed from it. No recursion.
 */
#ifndef TRIB_BASE_JSON_H
#define TRIB_BASE_JSON_H

#include "engine/base/text.h"

typedef enum {
    JSON_END,
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL
} JsonToken;

typedef struct JsonReader {
    const char *data;
    size_t len, at;
    uint32_t line, column;             /* of the next character, 1-based, columns in characters */
    uint32_t token_line, token_column; /* of the last token */
    size_t token_start;                /* byte offset of the last token */
    bool comments;                     /* accept // and slash-star comments and trailing commas */
    uint32_t depth, max_depth;
    uint8_t *stack;      /* internal: '{' or '[' per open container */
    uint32_t stack_size; /* internal */
    bool discard;        /* strings need not be decoded: text of escaped ones is "" */
    Arena *arena;        /* decoded strings that needed decoding live here */
    Str text;            /* KEY, STRING: decoded; NUMBER: as written */
    uint8_t state;       /* internal */
} JsonReader;

void json_init(JsonReader *self, Arena *arena, Str text, bool comments, uint32_t max_depth);
Status json_next(JsonReader *self, JsonToken *token, Error *err) WARN_UNUSED;
/* After a JSON_..._BEGIN or a scalar was returned: skips to its end; *raw = its exact text. */
Status json_skip(JsonReader *self, JsonToken begun, Str *raw, Error *err) WARN_UNUSED;
void json_quote(Buf *out, Str text); /* appends a JSON string literal */

/* A small tree for documents that are held whole (configuration). */
typedef struct JsonValue JsonValue;
struct JsonValue {
    JsonToken kind; /* OBJECT_BEGIN, ARRAY_BEGIN, or a scalar */
    Str text;
    uint32_t line, column;
    Str key; /* when a member of an object */
    uint32_t key_line, key_column;
    JsonValue *first, *next; /* children in order */
};
/* Duplicate keys are an error naming both positions. */
Status json_parse(Arena *arena, Str text, bool comments, JsonValue **out, Error *err) WARN_UNUSED;
const JsonValue *json_member(const JsonValue *object, Str key);

#endif
