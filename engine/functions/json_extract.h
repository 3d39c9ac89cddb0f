/*
 * json_extract.h - the simple paths of json_extract: $.a.b[0]["c d"], compiled to steps.
 */
#ifndef TRIB_FUNCTIONS_JSON_EXTRACT_H
#define TRIB_FUNCTIONS_JSON_EXTRACT_H

#include "engine/base/json.h"

typedef struct JsonStep {
    Str name;
    int64_t index; /* the name as a position in an array; -1: it is none */
} JsonStep;

typedef struct JsonSteps {
    uint32_t count;
    JsonStep *steps;
} JsonSteps;

/* false in *valid if the text is not such a path. */
Status json_steps_compile(Arena *arena, Str path, JsonSteps *out, bool *valid,
                          Error *err) WARN_UNUSED;
/* Moves a reader at the start of a document to the value that the path names; *token is its first token, JSON_END
 * where there is none (a missing member, text that is not JSON up to there). Of equal keys the first counts. */
Status json_steps_find(const JsonSteps *self, JsonReader *reader, JsonToken *token,
                       Error *err) WARN_UNUSED;

#endif
