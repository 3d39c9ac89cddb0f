/*
 * output.h - rows as text: an aligned table, CSV (RFC 4180), a JSON array of objects, bare lines.
 *
 * Rows are written as they come. Only a table waits: for its first rows, from which it takes the widths
 * of its columns, so that memory stays flat whatever the result's size is. One thread.
 */
#ifndef TRIB_SETUP_OUTPUT_H
#define TRIB_SETUP_OUTPUT_H

#include "setup/command.h"

typedef struct Output Output;

/* Columns are those of the prepared statement, which must outlive the output. */
Status output_new(Arena *arena, OutputFormat format, FILE *file, const Statement *statement,
                  Output **out, Error *err) WARN_UNUSED;
Status output_batch(Output *self, const BatchView *batch, Error *err) WARN_UNUSED;
/* Has anything been written yet? (A progress line must not come between rows.) */
bool output_begun(const Output *self);
uint64_t output_rows(const Output *self);
/* Writes what is still held and the end: closing bracket, number of rows. */
Status output_end(Output *self, Error *err) WARN_UNUSED;

#endif
