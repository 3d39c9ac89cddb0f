/*
 * diag.h - diagnostic records of a handle: posted by the call under way, read by SQLGetDiagRec and
 * SQLGetDiagField, dropped by the next call on the handle.
 *
 * Records stand in the order of the specification: those without a row first, then by row; within a
 * row connection and transaction failures, other errors, no-data, warnings. At most DIAG_MAX records
 * are kept; of those beyond, errors replace warnings.
 */
#ifndef TRIB_DRIVER_DIAG_H
#define TRIB_DRIVER_DIAG_H

#include "driver/odbc.h"
#include "engine/base/text.h"

#define DIAG_MAX      1000
#define DIAG_TEXT_MAX 2400 /* bytes of a message */

typedef struct DiagRecord {
    char sqlstate[6]; /* in the spelling of version 3 */
    int32_t native;
    SQLLEN row;        /* 1-based, or SQL_NO_ROW_NUMBER, SQL_ROW_NUMBER_UNKNOWN */
    SQLINTEGER column; /* 1-based, or SQL_NO_COLUMN_NUMBER, ... */
    const char *message, *server;
    uint32_t rank; /* within a row */
} DiagRecord;

typedef struct Diag {
    Arena *arena; /* of messages; NULL until first needed */
    DiagRecord **records;
    uint32_t count, capacity;
    bool warned; /* a warning was posted by the call under way: success becomes success with info */
    bool lost;   /* no memory for a record */
    SQLRETURN return_code;
    SQLLEN cursor_rows, row_count;
    SQLINTEGER function_code; /* SQL_DIAG_... of the statement executed */
    const char *function_name;
} Diag;

typedef struct Handle Handle;

void diag_clear(Diag *self);
void diag_free(Diag *self);

/* Post a record. The message is prefixed with [Tributary][ODBC] and the source at fault. The first
 * two return SQL_ERROR, so that `return diag_error(...)` reads well. */
SQLRETURN diag_error(Handle *handle, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);
SQLRETURN diag_engine(Handle *handle, const Error *err);
SQLRETURN diag_no_memory(Handle *handle);
void diag_warning(Handle *handle, ErrorCode code, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_engine_warning(Handle *handle, const Error *err); /* whatever its status */
/* A record about a row (and column) of a rowset or set of parameters; error: counts as one. */
void diag_row(Handle *handle, const Error *err, bool error, SQLLEN row, SQLINTEGER column);

/* The SQLSTATE in the spelling of the application's version. */
void diag_state(const char *sqlstate, bool odbc2, char out[6]);
/* "ISO 9075" or "ODBC 3.0". */
const char *diag_class_origin(const char *sqlstate);
const char *diag_subclass_origin(const char *sqlstate);

#endif
