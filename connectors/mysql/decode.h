/*
 * decode.h - rows of the binary protocol straight into the columns of a batch.
 *
 * A RowDecoder belongs to one scan. Per column it picks, once, the conversion from what the server
 * sends to what the plan promised; per row it reads the packet in place, without binding buffers.
 */
#ifndef TRIB_MYSQL_DECODE_H
#define TRIB_MYSQL_DECODE_H

#include <mysql.h>

#include "connectors/mysql/option.h"
#include "connectors/support/batch_builder.h"
#include "connectors/support/sql_text.h"

typedef struct ColumnDecoder ColumnDecoder;
typedef struct MonthStart MonthStart;

typedef struct RowDecoder {
    const Settings *settings;
    TribCall *call;
    BatchBuilder *batch;
    uint32_t ncolumns;
    ColumnDecoder *columns;
    MonthStart *months; /* those met so far */
    int16_t utc;
} RowDecoder;

/*
 * Prepares for the fields of a statement that was executed. Errors: their number or types do not fit
 * the outputs (the table changed since it was described).
 */
Status decoder_init(RowDecoder *self, Arena *arena, const Settings *settings, TribCall *call,
                    BatchBuilder *batch, const SqlSelect *select, MYSQL_STMT *statement,
                    Error *err) WARN_UNUSED;
/* The row that mysql_stmt_fetch has just read (nothing bound) becomes row batch->rows. Lengths are
 * checked against the packet's buffer. Errors: a malformed packet, a value that does not fit its type. */
Status decoder_row(RowDecoder *self, MYSQL_STMT *statement, Error *err) WARN_UNUSED;

#endif
