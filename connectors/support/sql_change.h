/*
 * sql_change.h - UPDATE and DELETE as a whole, for connectors with a SqlDialect.
 */
#ifndef TRIB_SUPPORT_SQL_CHANGE_H
#define TRIB_SUPPORT_SQL_CHANGE_H

#include "connectors/support/sql_text.h"

/*
 * The statement for a TribModify: UPDATE t SET c = ?, ... WHERE ..., or DELETE FROM t WHERE .... Verdict NONE with a
 * reason, and an empty text, where the dialect cannot evaluate the conditions exactly, or a new value is neither a
 * constant nor something that the dialect computes as the engine does (dialect->assigning). Of a dialect that
 * computes none the first `nassignments` parameters are the new values in their order. storable() says why a constant cannot
 * be stored in a column by a parameter, NULL = it can.
 */
Status sql_change(const SqlDialect *dialect, const void *context, Arena *arena,
                  const char *(*storable)(const TribColumn *column, const TribValue *value),
                  const TribModify *modify, TribVerdict *verdict, SqlFragment *out,
                  Error *err) WARN_UNUSED;

#endif
