/*
 * odbc.h - the ODBC headers of unixODBC, with the entry points declared visible; constants of the
 * specification that those headers lack.
 */
#ifndef TRIB_DRIVER_ODBC_H
#define TRIB_DRIVER_ODBC_H

#pragma GCC visibility push(default)
#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#pragma GCC visibility pop

#ifndef SQL_PARAM_BIND_BY_COLUMN
#define SQL_PARAM_BIND_BY_COLUMN 0UL
#endif

_Static_assert(sizeof(SQLWCHAR) == 2, "SQLWCHAR is UTF-16");
_Static_assert(sizeof(SQLHANDLE) == 8, "handles carry a 64-bit id");

#endif
