/*
 * json_sql.h - json_exists, json_value, json_query, json_object, json_array: calls with clauses.
 *
 * The binder describes a call by a JsonSql and gets a row of its own for it, whose `context` it is.
 */
#ifndef TRIB_FUNCTIONS_JSON_SQL_H
#define TRIB_FUNCTIONS_JSON_SQL_H

#include "engine/functions/function.h"
#include "engine/functions/json_path.h"

typedef enum JsonSqlBehaviour {
    JSON_DO_NULL, /* also UNKNOWN */
    JSON_DO_ERROR,
    JSON_DO_DEFAULT,
    JSON_DO_TRUE,
    JSON_DO_FALSE,
    JSON_DO_EMPTY_ARRAY,
    JSON_DO_EMPTY_OBJECT
} JsonSqlBehaviour;

typedef enum JsonSqlWrapper {
    JSON_WRAP_NOT,
    JSON_WRAP_CONDITIONAL,
    JSON_WRAP_ALWAYS
} JsonSqlWrapper;

/* Arguments. exists, value, query: input, the variables, then the defaults for empty and error if there are any.
 * object: key, value, key, value ... array: the elements. */
typedef struct JsonSql {
    uint16_t id;        /* TRIB_FN_json_... */
    JsonPath *path;     /* exists, value, query */
    uint32_t nnames;    /* variables */
    const bool *format; /* by argument (object: by member): the text is JSON */
    JsonSqlBehaviour on_empty, on_error;
    uint32_t empty_default, error_default; /* arguments, for JSON_DO_DEFAULT */
    JsonSqlWrapper wrapper;
    bool omit_quotes, absent_on_null, unique_keys;
} JsonSql;

/* The row for such calls; its arguments may be of any type that json_sql_accepts, the result is boolean (exists),
 * a scalar type (value), or varchar, char, varbinary, json. `call` must outlive the row. */
Status json_sql_function(Arena *arena, const JsonSql *call, const Function **out,
                         Error *err) WARN_UNUSED;
/* Can a value of this type be an argument as it is? Others must be cast to varchar. */
bool json_sql_accepts(Type type, bool datetime);

#endif
