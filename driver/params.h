/*
 * params.h - where bound parameters stand in the application's memory, and arrays of them as columns.
 */
#ifndef TRIB_DRIVER_PARAMS_H
#define TRIB_DRIVER_PARAMS_H

#include "driver/stmt.h"

/* Where the buffers of a parameter stand for one set; those of the next set are the steps further. */
typedef struct ParamPlace {
    const DescRecord *app, *own;
    bool of_column; /* of a result that is written to, not a parameter */
    SQLSMALLINT ctype;
    char *data;
    const SQLLEN *length, *indicator;
    size_t step, length_step;
} ParamPlace;

/* false: the parameter is not bound. */
bool param_place(const Stmt *self, SQLULEN row, uint32_t index, ParamPlace *out);
/* Likewise of a bound column whose row `row` is written; `own` says its SQL type. */
void column_place(const Desc *ard, const DescRecord *app, const DescRecord *own, SQLULEN row,
                  ParamPlace *out);
static inline SQLLEN param_length(const void *from) {
    SQLLEN value;
    memcpy(&value, from, sizeof value);
    return value;
}
static inline bool param_length_waits(SQLLEN length) {
    return length == SQL_DATA_AT_EXEC || length <= SQL_LEN_DATA_AT_EXEC_OFFSET;
}
/* One value by the general way. Text is borrowed from the buffer or lives in the arena. *fraction: digits
 * behind the point were dropped (01S07). */
Status param_value(Stmt *self, uint32_t index, const ParamPlace *place, Arena *arena,
                   TribValue *out, bool *fraction, Error *err) WARN_UNUSED;

/* A run of values of one parameter on its way into a column. */
typedef struct ArrayRun {
    Stmt *stmt;
    uint32_t index;   /* of the parameter, 0-based */
    ParamPlace place; /* of the first set */
    TribType type;    /* that was bound */
    uint32_t count;
    uint8_t *states; /* by set; only those that are SET_GIVEN are looked at */
    Arena *arena;    /* of the column */
    void *context;
    /* A value that does not convert (the set becomes SET_FAILED), or one whose fraction was dropped. */
    void (*issue)(void *context, uint32_t set, const Error *err, bool error);
} ArrayRun;

enum { SET_GIVEN, SET_IGNORED, SET_FAILED };

/* convert_array.c: the run as a column of values of the bound SQL type. */
Status array_convert(ArrayRun *run, ParameterColumn *out, Error *err) WARN_UNUSED;
/* Leaves out the sets that are not SET_GIVEN. */
void array_compact(ParameterColumn *column, uint32_t count, const uint8_t *states);

#endif
