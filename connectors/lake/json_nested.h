/*
 * json_nested.h - JSON arrays and objects as values of array, map and row columns.
 *
 * An array is a JSON array. A map with varchar keys is a JSON object; a key that stands in it twice is a
 * mismatch. A row is a JSON object: members are found by name, exactly, else without regard to case;
 * unknown ones are stepped over, missing ones are NULL, of two of the same name the last one counts.
 */
#ifndef TRIB_LAKE_JSON_NESTED_H
#define TRIB_LAKE_JSON_NESTED_H

#include "connectors/lake/column_type.h"
#include "connectors/lake/format.h"
#include "connectors/lake/json_cursor.h"

typedef struct JsonNested JsonNested;

/* Bytes in a batch that one more element or one more object can make of a type's values. */
typedef struct JsonWeight {
    bool deep; /* there are arrays or maps */
    uint64_t per_element, per_object;
} JsonWeight;

JsonWeight json_weight(TribType type);
/* What the values of that text can take, at most. */
uint64_t json_weight_of(const JsonWeight *self, Str text);

/* `params` stays valid until json_nested_free (NULL is allowed). */
Status json_nested_new(const FormatParams *params, JsonNested **out, Error *err) WARN_UNUSED;
void json_nested_free(JsonNested *self);

/* Makes the query's error: a value of row `index` at `path` ("[3].price") is not what its type says. */
typedef Status (*NestedFault)(void *context, uint32_t column, uint32_t index, const char *path,
                              Str found, const char *why, Error *err);
/* Writes `count` checked JSON texts into the builder's rows from builder->rows on. With on_mismatch null
 * the innermost value that does not fit is NULL. */
Status json_nested_convert(JsonNested *self, uint32_t column, const Field *fields, uint32_t count,
                           NestedFault fault, void *context, Error *err) WARN_UNUSED;

#endif
