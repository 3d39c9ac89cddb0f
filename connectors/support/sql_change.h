/*
 * sql_change.h - UPDATE and DELETE as a whole, for connectors with a SqlDialect.
 */
#ifndef TRIB_SUPPORT_SQL_CHANGE_H
#define TRIB_SUPPORT_SQL_CHANGE_H

#include "connectors/support/sql_text.h"

/*
 * The statement for a TribModify: UPDATE t SET c = ?, ... WHERE ..., or DELETE FROM t WHERE .... The first
 * `nvalues` parameters are new values, the others are the condition's. verdict NONE with a reason where the
 * dialect cannot evaluate the conditions exactly, or a new value is no constant; text is empty then. storable() says why a value cannot be
 * stored in a column by a parameter, NULL = it can.
 */
Status sql_change(const SqlDialect *dialect, const void *context, Arena *arena,
                  const char *(*storable)(const TribColumn *column, const TribValue *value),
                  const TribModify *modify, TribVerdict *verdict, SqlFragment *out,
                  Error *err) WARN_UNUSED;

#endif
