/*
 * json_path.h - the SQL/JSON path language: a path compiled once, evaluated over documents.
 *
 * Grammar and semantics are Trino's (ISO 9075-2, section 9.39 and following): modes lax and strict; accessors
 * .key ."key" .* ..key [i, j to last] [*]; filters ?(...); methods type, size, double, ceiling, floor, abs,
 * keyvalue; arithmetic; variables. Numbers without exponent are exact decimals, with one doubles.
 */
#ifndef TRIB_FUNCTIONS_JSON_PATH_H
#define TRIB_FUNCTIONS_JSON_PATH_H

#include "engine/functions/json_item.h"

typedef struct JsonPath JsonPath;

/* An ordered sequence of items, in the arena of the evaluation. */
typedef struct JsonSequence {
    JsonItem *items;
    uint32_t count, capacity;
} JsonSequence;

/* Compiles the text of a path. names: of the variables that may stand in it, by number. A wrong path is a
 * syntax error (42000) that names the character. The text must outlive the result. */
Status json_path_compile(Arena *arena, Str text, uint32_t nnames, const Str *names, JsonPath **out,
                         Error *err) WARN_UNUSED;
/* Evaluates it over a document; variables[i] belongs to names[i]. TRIB_OK with *fault != 0: the path failed,
 * *fault is the ErrorCode. Any number of threads may evaluate one path. */
Status json_path_run(const JsonPath *self, Arena *arena, const JsonItem *context,
                     const JsonItem *variables, JsonSequence *out, ErrorCode *fault,
                     Error *err) WARN_UNUSED;

Status json_sequence_add(JsonSequence *self, Arena *arena, const JsonItem *item,
                         Error *err) WARN_UNUSED;

/* ---- numbers of paths */
typedef enum JsonNumberKind { JSON_EXACT, JSON_DOUBLE } JsonNumberKind;
typedef struct JsonNumber {
    JsonNumberKind kind;
    Int128 unscaled; /* EXACT */
    int scale;       /* EXACT: 0 to 38; 0 only for what is written without a point */
    double real;     /* always */
} JsonNumber;
/* false: more digits than fit. */
bool json_number_read(Str text, JsonNumber *out);

#endif
