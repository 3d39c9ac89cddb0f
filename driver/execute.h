/*
 * execute.h - what the steps of an execution share: execute.c, sets.c, putdata.c.
 *
 * A step returns SQL_SUCCESS: go on with slot.step; anything else ends the call.
 */
#ifndef TRIB_DRIVER_EXECUTE_H
#define TRIB_DRIVER_EXECUTE_H

#include "driver/stmt.h"

enum {
    STEP_PREPARING,
    STEP_PREPARED,
    STEP_SET,
    STEP_EXECUTING,
    STEP_CHUNK,
    STEP_RANGE,
    STEP_STORING,
    STEP_COLLECT,
    STEP_RESULT,
    STEP_OPENING
};

/* Goes on until the end, an error, or something to wait for. */
SQLRETURN execution_run(Stmt *self);

SQLULEN sets_count(const Stmt *self); /* of the array; 1 without parameters */
void set_status(Stmt *self, SQLULEN row, SQLUSMALLINT status);
void set_succeeded(Stmt *self, SQLULEN row); /* keeps SQL_PARAM_SUCCESS_WITH_INFO */
bool set_ignored(Stmt *self, SQLULEN row);   /* and counts it */
/* A set failed; index: at which parameter (from 1, 0: none). With only one set, the execution has. */
SQLRETURN set_failed(Stmt *self, const Error *err, SQLULEN row, SQLINTEGER index);
/* Likewise in the engine, which may know by which parameter. */
SQLRETURN set_refused(Stmt *self, const Error *err, SQLULEN row);
/* The call ends at a set: those behind it are not used. */
SQLRETURN sets_abandoned(Stmt *self, const Error *err, SQLULEN row);
SQLRETURN cursor_opened(Stmt *self);

/* sets.c: INSERT of an array. Reads the next chunk of sets; starts a range of them; waits for its end. */
SQLRETURN chunk_read(Stmt *self);
SQLRETURN range_begin(Stmt *self);
SQLRETURN range_end(Stmt *self);
/* sets.c: a query with an array. Reads a set; starts the next one that was read; waits for its rows. */
SQLRETURN query_set_read(Stmt *self);
SQLRETURN query_set_begin(Stmt *self);
SQLRETURN query_set_end(Stmt *self, bool *finished);
bool sets_left(const Stmt *self); /* of a query: is there one that was not started? */

#endif
