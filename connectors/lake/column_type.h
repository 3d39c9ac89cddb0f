/*
 * column_type.h - the types that columns of files can have: their names in configurations.
 */
#ifndef TRIB_LAKE_COLUMN_TYPE_H
#define TRIB_LAKE_COLUMN_TYPE_H

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

/* "bigint", "decimal(15,2)", "varchar(20)", "timestamp(3) with time zone" ... any case; false: none of them. */
bool column_type_parse(Str text, TribType *out);
/* The name as column_type_parse reads it; NUL-terminated. */
size_t column_type_text(TribType type, char *out, size_t size);
/* All names, for hints. */
extern const char column_type_names[];

#endif
