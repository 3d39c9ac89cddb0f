/*
 * send.h - rows of a batch as arrays that the client library sends.
 *
 * A RowSender holds what the columns of a statement are; rows_take puts one batch into arrays, a value of fixed
 * width beside the next, all others as pointers into the batch, or into texts made here. Both ways of sending read
 * the same arrays: a bulk operation takes them as they are, an INSERT of many rows has a bind for each value.
 * One thread; the arrays live until the next rows_take, in an arena of the sender.
 */
#ifndef TRIB_MYSQL_SEND_H
#define TRIB_MYSQL_SEND_H

#include <mysql.h>

#include "connectors/mysql/types.h"

typedef struct SendColumn {
    const TribColumn *column;
    ColumnFacts facts;
    bool key; /* may not be NULL: a row is found by it */
    enum enum_field_types wire;
    uint8_t width; /* of `values`; 0 = an array of pointers, with lengths */
    void *values;
    unsigned long *lengths;
    char *indicators; /* of STMT_INDICATOR_ values, a byte each */
} SendColumn;

typedef struct RowSender {
    Arena *arena; /* of the batch */
    uint32_t ncolumns;
    SendColumn *columns; /* in the order of the rows */
    uint32_t rows;
    uint64_t *sizes; /* at most as many bytes does each row take in a packet */
} RowSender;

/* The columns stay with the caller; `nkeys` of them, from the first, find rows again. */
Status sender_init(RowSender *self, Arena *arena, const TribTable *table, uint32_t ncolumns,
                   const uint32_t *columns, uint32_t nkeys, Error *err) WARN_UNUSED;
void sender_clear(RowSender *self);
/* Errors: a value that the source cannot store as it is (22003, 22008, 22015), naming the column. */
Status sender_take(RowSender *self, const TribBatch *batch, Error *err) WARN_UNUSED;
/* A bind for the column at rows from `from` on, as an array. */
void sender_bind_array(const RowSender *self, uint32_t column, uint32_t from, MYSQL_BIND *out);
/* A bind for one value. */
void sender_bind_value(const RowSender *self, uint32_t column, uint32_t row, MYSQL_BIND *out);
/* Why a value cannot be stored in a column so that it is read back as it is; NULL = it can, if the column takes it. */
const char *sender_storable(const TribColumn *column, const TribValue *value);

#endif
