/*
 * recursive.h - what the two operators of a recursive query share.
 */
#ifndef TRIB_EXEC_RECURSIVE_H
#define TRIB_EXEC_RECURSIVE_H

#include "engine/exec/row_buffer.h"

/* Of op_recursive; op_working reads its tables while a step runs. */
typedef struct RecursiveShared {
    const PhysNode *node;
    Query *query;
    RowBuffer *working; /* rows of the step before */
    RowBuffer *next;    /* rows of this step */
    RowBuffer *seen;    /* UNION without ALL: all rows so far; else NULL */
    RowBufferWriter *next_writer, *seen_writer;
    RowBufferReader *reader; /* of the first part's rows */
    bool begun;              /* the first part's rows are out */
    NestedRun *run;          /* NULL: no step is running */
    int64_t steps;
} RecursiveShared;

#endif
