/*
 * row_buffer.h - rows that are written once and read any number of times, on disk where memory ends.
 *
 * Writers append batches, each with a RowBufferWriter of its own; what a writer has handed over
 * (row_buffer_writer_flush) may be read by any number of RowBufferReaders, each from the first row, on any
 * thread. It holds shared common table expressions and the tables of recursive queries. With one writer the
 * order of the rows is kept.
 */
#ifndef TRIB_EXEC_ROW_BUFFER_H
#define TRIB_EXEC_ROW_BUFFER_H

#include "engine/exec/operator.h"
#include "engine/exec/row_store.h"

typedef struct RowBuffer RowBuffer;
typedef struct RowBufferWriter RowBufferWriter;
typedef struct RowBufferReader RowBufferReader;

#define ROW_BUFFER_MINIMUM (INT64_C(256) << 10)

/* Counters and budget are those of node `node->id`. *out is NULL after a failure. */
Status row_buffer_new(const PhysNode *node, Query *query, RowBuffer **out, Error *err) WARN_UNUSED;
/* After all writers and readers have ended. NULL is allowed. */
void row_buffer_free(RowBuffer *self);
uint64_t row_buffer_rows(const RowBuffer *self); /* handed over so far; not while writers write */

/* Belongs to the buffer, for one thread at a time. */
Status row_buffer_writer_new(RowBuffer *self, RowBufferWriter **out, Error *err) WARN_UNUSED;
Status row_buffer_write(RowBufferWriter *self, const Batch *in, Error *err) WARN_UNUSED;
/* Hands over what was written; writing may go on. */
Status row_buffer_writer_flush(RowBufferWriter *self, Error *err) WARN_UNUSED;

/* Reads what has been handed over by now. `next` is the page to be read next: readers that share it share
 * the rows between them; NULL: this reader reads all. The arena lives as long as the reader. */
Status row_buffer_reader_new(const RowBuffer *self, Arena *arena, _Atomic uint32_t *next,
                             RowBufferReader **out, Error *err) WARN_UNUSED;
/* The next batch, valid until the next call; *some false: there are no more. */
Status row_buffer_read(RowBufferReader *self, Batch *out, bool *some, Error *err) WARN_UNUSED;
/* Gives back the page it holds. NULL is allowed. */
void row_buffer_reader_end(RowBufferReader *self);

#endif
