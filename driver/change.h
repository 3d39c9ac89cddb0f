/*
 * change.h - what change.c shares with statements that are positioned by a cursor (positioned.c).
 */
#ifndef TRIB_DRIVER_CHANGE_H
#define TRIB_DRIVER_CHANGE_H

#include "driver/stmt.h"

/* A condition that only one row fulfils, as long as it is what the cursor has: " WHERE key = ? AND ..." */
void change_text_condition(const Stmt *cursor, Buf *out);
uint32_t change_condition_count(const Stmt *cursor); /* of its parameters */
/* The values of a row of the cursor for them, from `slot` on. */
Status change_bind_condition(const Stmt *cursor, Statement *engine, Arena *arena,
                             const BatchView *batch, uint32_t logical, uint32_t slot,
                             Error *err) WARN_UNUSED;
/* A row of the rowset was changed by another statement: shows it as it is now, if its key is the same. */
Status change_reread(Stmt *cursor, SQLULEN row, Error *err) WARN_UNUSED;
/* Any thread, no lock: ends what is under way for the rows of the cursor. */
void change_cancel(Stmt *self);

#endif
