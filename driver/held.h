/*
 * held.h - copies of rows of a rowset whose batch is about to go, for SQLGetData with block cursors.
 */
#ifndef TRIB_DRIVER_HELD_H
#define TRIB_DRIVER_HELD_H

#include "driver/stmt.h"

/* Before the engine is asked for the next batch in the middle of a rowset: the segments of the
 * current batch are copied, or given up where SQLGetData cannot want them (every column is bound and
 * it was never used). */
Status held_keep(Stmt *stmt, Error *err) WARN_UNUSED;

/* One column of one row, copied into an arena. */
Status held_copy(Arena *arena, const BatchView *batch, uint32_t logical, uint32_t column,
                 ColumnView *out, Error *err) WARN_UNUSED;

#endif
