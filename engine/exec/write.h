/*
 * write.h - what the operators that store rows share: op_write and op_merge.
 */
#ifndef TRIB_EXEC_WRITE_H
#define TRIB_EXEC_WRITE_H

#include "engine/exec/row_buffer.h"

/* A new text longer than its column is an error, never cut: 22001. The batch's columns are the request's. */
Status write_check_lengths(const TribWriteRequest *request, const Batch *in, Error *err);
/* Hands all rows of a buffer with one writer to a writer of the source. The arena is the reader's. */
Status write_kept(Query *query, RowBuffer *buffer, RowBufferWriter *buffered, Arena *arena,
                  Source *source, TribWriter *writer, Error *err);

#endif
