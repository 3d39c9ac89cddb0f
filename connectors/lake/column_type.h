/*
 * column_type.h - the types that columns of files can have: their names in configurations.
 */
#ifndef TRIB_LAKE_COLUMN_TYPE_H
#define TRIB_LAKE_COLUMN_TYPE_H

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

enum { COLUMN_TYPE_DEPTH = 32 }; /* arrays, maps and rows within each other */

static inline bool column_type_nested(TribType type) {
    return type.id == TRIB_TYPE_ARRAY || type.id == TRIB_TYPE_MAP || type.id == TRIB_TYPE_ROW;
}

/* "bigint", "decimal(15,2)", "timestamp(3) with time zone", "array(row(a bigint, \"b c\" varchar(9)))" ...
 * in any case; false: none of them. Fields of nested types live on the arena. */
bool column_type_parse(Arena *arena, Str text, TribType *out);
/* The name as column_type_parse reads it. */
void column_type_write(Buf *out, TribType type);
/* All names, for hints. */
extern const char column_type_names[];

#endif
