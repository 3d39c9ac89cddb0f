/*
 * diag_get.h - reading diagnostics: SQLGetDiagRec, SQLGetDiagField.
 */
#ifndef TRIB_DRIVER_DIAG_GET_H
#define TRIB_DRIVER_DIAG_GET_H

#include "driver/call.h"

/* number: 1-based. SQL_SUCCESS_WITH_INFO: the message was cut. No record is posted. */
SQLRETURN diag_get_record(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number,
                          const TextOut *state, SQLINTEGER *native, const TextOut *message);
SQLRETURN diag_get_field(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field,
                         SQLPOINTER value, const TextOut *text);

#endif
