/*
 * bind.h - values as parameters of a prepared statement.
 */
#ifndef TRIB_MYSQL_BIND_H
#define TRIB_MYSQL_BIND_H

#include <mysql.h>

#include "connectors/support/sql_text.h"

/* Fills in `binds` (one per parameter, on the arena) from the fragment's parameters and the slots of the
 * request. Errors: a value that the protocol cannot carry; a slot beyond `nslots`. */
Status bind_params(Arena *arena, const SqlFragment *statement, const TribValue *slots,
                   uint32_t nslots, MYSQL_BIND **binds, Error *err) WARN_UNUSED;

#endif
