/*
 * change.h - rows that are changed through the cursor: what change.c offers to the calls that change them
 * (change_rows.c, change_add.c) and to statements that are positioned by a cursor (positioned.c).
 */
#ifndef TRIB_DRIVER_CHANGE_H
#define TRIB_DRIVER_CHANGE_H

#include "driver/params.h"

/* What the row under way, or the run of rows that are added, waits for or comes to next. */
enum {
    ROW_NEXT,      /* the call comes to a row */
    ROW_PREPARING, /* its statement is being prepared, */
    ROW_WRITING,   /* carried out */
    ROW_REREAD,    /* the row is to be read again */
    ROW_READER,    /* the statement that does it is being prepared, */
    ROW_READING,   /* carried out, */
    ROW_FETCHING,  /* its row awaited */
    ROW_READ,
    ROW_RANGE,   /* the next range of added rows is to be stored */
    ROW_STORING, /* it is being stored */
    ROW_MARK,    /* the next added row gets its bookmark */
};

/* HY092 where the cursor was asked to be read-only, HYC00 where it cannot be anything else. */
SQLRETURN change_refused(Stmt *self);

/* The SQL type of a column as the declared type of a parameter. */
void column_declare(const Stmt *self, uint32_t column, DescRecord *out);
/* The columns whose values the row under way gets; 21S02: none is to be written. */
Status change_columns(Stmt *self, Error *err) WARN_UNUSED;

/* Waits for the engine: SQL_SUCCESS, SQL_STILL_EXECUTING where the call is polled, SQL_ERROR (err). */
SQLRETURN change_wait(const Stmt *self, Statement *engine, Error *err);
/* The statement for the kind and the columns of the row under way: begins to prepare it, if it is another than
 * before; then waits for that. */
Status change_prepare_start(Stmt *self, Error *err) WARN_UNUSED;
SQLRETURN change_prepare_end(Stmt *self, Error *err);
/* The column (from 1) by whose value the statement failed, or SQL_NO_COLUMN_NUMBER. */
SQLINTEGER change_failed_column(const Stmt *self);
/* What the application has in the bound buffers. *column: which one failed, from 1. */
Status change_bind_given(Stmt *self, Statement *engine, SQLINTEGER *column, Error *err) WARN_UNUSED;

/* A condition that only one row fulfils, as long as it is what the cursor has: " WHERE key = ? AND ..." */
void change_text_condition(const Stmt *cursor, Buf *out);
uint32_t change_condition_count(const Stmt *cursor); /* of its parameters */
/* The values of a row of the cursor for them, from `slot` on. */
Status change_bind_condition(const Stmt *cursor, Statement *engine, Arena *arena,
                             const BatchView *batch, uint32_t logical, uint32_t slot,
                             Error *err) WARN_UNUSED;

/* The cursor shows a row as it is now (NULL: deleted), in a transaction until that is taken back. */
Status change_show(Stmt *self, uint64_t number, const BatchView *now, Error *err) WARN_UNUSED;
/* The key that the row under way has after the change: the one it had, or what its columns are set to. */
Status change_key(Stmt *self, Error *err) WARN_UNUSED;
/* The next step from ROW_REREAD to ROW_READ: by its key, the row is kept as it is then in place of `old`. */
SQLRETURN change_read_again(Stmt *self, Error *err);
/* A row of the rowset was changed by another statement: shows it as it is now, if its key is the same. */
Status change_reread(Stmt *cursor, SQLULEN row, Error *err) WARN_UNUSED;

/* change_rows.c */
static inline void change_status(const RowChange *self, SQLULEN row, SQLUSMALLINT status) {
    if (self->status) self->status[row] = status;
}
/* Is the row of the buffers to be left out? SQLBulkOperations takes all of them. */
bool change_ignores(const Stmt *self, SQLULEN row);
/* Posts an error of a row, by its number, at a column (from 1) or none. */
void change_post(Stmt *self, SQLLEN number, SQLINTEGER column, const Error *err);
/* A row has failed. */
void change_row_failed(Stmt *self, SQLULEN row, SQLINTEGER column, const Error *err);
/* Would the rows behind it fare no better? */
bool change_ends_call(const Error *err);

/* change_add.c: SQL_ADD. Goes on with the rows from the one under way on; SQL_SUCCESS: a run of them is done, the
 * row behind it is the one under way. */
SQLRETURN adds_run(Stmt *self);
void adds_drop(Stmt *self); /* what was read of them */

/* Any thread, no lock: ends what is under way for the rows of the cursor. */
void change_cancel(Stmt *self);

#endif
