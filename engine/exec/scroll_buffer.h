/*
 * scroll_buffer.h - all rows of a result by number, on disk where memory ends: what a static cursor reads.
 *
 * Batches are appended in the order in which they come and read back from any row on. Threads: one at a
 * time. Memory: charged to the query; pages beyond what it grants are written to its spill space, and one
 * of them is in memory at a time.
 */
#ifndef TRIB_EXEC_SCROLL_BUFFER_H
#define TRIB_EXEC_SCROLL_BUFFER_H

#include "engine/exec/operator.h"

typedef struct ScrollBuffer ScrollBuffer;

/* For rows that the node puts out. *out is to be closed even after a failure, if it is not NULL; before the
 * query ends. */
Status scroll_buffer_new(const PhysNode *node, Query *query, ScrollBuffer **out,
                         Error *err) WARN_UNUSED;
void scroll_buffer_close(ScrollBuffer *self);
/* The first `count` rows of the batch. What was read last is no longer valid. */
Status scroll_buffer_add(ScrollBuffer *self, Batch *in, uint32_t count, Error *err) WARN_UNUSED;
uint64_t scroll_buffer_rows(const ScrollBuffer *self);
/* Some rows from number `row` (from 0) on, valid until the next call; NULL: there are fewer. */
Status scroll_buffer_read(ScrollBuffer *self, uint64_t row, Batch **out, Error *err) WARN_UNUSED;

#endif
