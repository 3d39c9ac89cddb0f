/*
 * window_keep.h - the first rows of each partition: what of the input need not be sorted (window_keep.c).
 */
#ifndef TRIB_EXEC_WINDOW_KEEP_H
#define TRIB_EXEC_WINDOW_KEEP_H

#include "engine/exec/window.h"

typedef struct WindowKeep WindowKeep;

/* For a worker of a window that asks for the first rows only. Memory is the arena's, but for a table that
 * close() gives back. */
Status window_keep_new(WindowShared *shared, SortWorker *worker, Arena *arena, WindowKeep **out,
                       Error *err) WARN_UNUSED;
/* Appends those of the selected rows that may be among the first; spills when the grant refuses. */
Status window_keep_append(WindowKeep *self, SortInput *input, const Batch *in,
                          Error *err) WARN_UNUSED;
void window_keep_close(WindowKeep *self); /* NULL is fine */

#endif
