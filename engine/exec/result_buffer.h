/*
 * result_buffer.h - rows that wait for their reader in pages, on disk where memory ends.
 *
 * Writers append batches and never wait; one reader takes batches in the order in which pages were
 * finished (the order of the rows where there is one writer). It stands between the last pipeline and the
 * application, with ReadAhead=spill or when that stops reading, so that sources are drained at their pace.
 *
 * Threads: each writer has a ResultWriter of its own; the queue of finished pages is guarded by a lock.
 */
#ifndef TRIB_EXEC_RESULT_BUFFER_H
#define TRIB_EXEC_RESULT_BUFFER_H

#include "engine/exec/operator.h"
#include "engine/exec/row_store.h"

typedef struct ResultBuffer ResultBuffer;
typedef struct ResultWriter ResultWriter;

#define RESULT_BUFFER_MINIMUM (INT64_C(512) << 10)

/* Any thread. *out is to be closed even after a failure, if it is not NULL. */
Status result_buffer_new(const PhysNode *node, Query *query, ResultBuffer **out,
                         Error *err) WARN_UNUSED;
void result_buffer_close(ResultBuffer *self);
Status result_writer_new(ResultBuffer *self, Arena *arena, ResultWriter **out,
                         Error *err) WARN_UNUSED;
Status result_writer_add(ResultWriter *self, Batch *in, Error *err) WARN_UNUSED;
/* Hands over what is not yet a full page. */
Status result_writer_finish(ResultWriter *self, Error *err) WARN_UNUSED;
/* The next batch, valid until the next call; NULL: none is ready now. */
Status result_buffer_take(ResultBuffer *self, Batch **out, Error *err) WARN_UNUSED;

#endif
