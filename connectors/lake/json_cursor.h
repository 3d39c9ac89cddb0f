/*
 * json_cursor.h - steps through JSON text (RFC 8259) in a buffer without copying it.
 *
 * Made for rows: values are found and checked, not built. Numbers stay text; strings without escapes are
 * borrowed; nested values are stepped over, checked all the same, to a bounded depth without recursion.
 * The buffer must be valid UTF-8 and have 64 readable bytes behind its end. One thread.
 */
#ifndef TRIB_LAKE_JSON_CURSOR_H
#define TRIB_LAKE_JSON_CURSOR_H

#include "connectors/lake/convert.h"

typedef enum {
    CURSOR_OK,
    CURSOR_CUT,    /* the buffer ends within the value */
    CURSOR_BROKEN, /* no JSON: `why`, at `at` */
    CURSOR_DEEP,
    CURSOR_NO_MEMORY
} CursorResult;

typedef struct JsonCursor {
    const char *at, *end;
    const char *why;
    uint32_t max_depth;
    uint8_t *stack; /* max_depth bytes, the caller's */
    Arena *arena;   /* decoded strings live here */
} JsonCursor;

typedef enum { CURSOR_SCALAR, CURSOR_STRING, CURSOR_NULL, CURSOR_NESTED } CursorKind;

/* Blanks, line ends included. */
static inline void cursor_blanks(JsonCursor *self) {
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\t' || *self->at == '\r'))
        self->at++;
}
/* At a quote: *raw = what stands between the quotes, *escaped = it has escapes. */
CursorResult cursor_string(JsonCursor *self, Str *raw, bool *escaped);
/* Escapes resolved, on the arena. */
CursorResult cursor_decode(JsonCursor *self, Str raw, Str *out);
/* Any value: *raw = its exact text; strings with their quotes. */
CursorResult cursor_value(JsonCursor *self, CursorKind *kind, Str *raw, bool *escaped);

/* The field that a value is; `json`: strings keep their quotes and escapes. Decoded ones live on the arena. */
CursorResult cursor_field(JsonCursor *self, CursorKind kind, Str raw, bool escaped, bool json,
                          Field *out);

#endif
