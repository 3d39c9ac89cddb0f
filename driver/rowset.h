/*
 * rowset.h - rows in memory: the results of catalog functions, in the engine's column form, so that
 * they go through the same fetch as everything else.
 */
#ifndef TRIB_DRIVER_ROWSET_H
#define TRIB_DRIVER_ROWSET_H

#include "driver/odbc.h"
#include "engine/tributary.h"

typedef enum RowKind { ROW_TEXT, ROW_SMALLINT, ROW_INTEGER } RowKind;

typedef struct RowColumn {
    const char *name;
    uint8_t kind;
    bool nullable;
    uint16_t length; /* of texts */
} RowColumn;

typedef struct RowSet RowSet;

/* columns: static. Lives in an arena of its own until rowset_free; NULL: out of memory. */
RowSet *rowset_new(const RowColumn *columns, uint32_t count);
void rowset_free(RowSet *self);
/* Version 2 names for some columns: renames before rowset_finish. */
void rowset_rename(RowSet *self, uint32_t column, const char *name);

/* A new row, all NULL; then its cells. Failures of memory are remembered for rowset_finish. */
void rowset_row(RowSet *self);
void rowset_text(RowSet *self, uint32_t column, Str text); /* copied; NULL data = NULL */
void rowset_integer(RowSet *self, uint32_t column, int64_t value);
Str rowset_get_text(const RowSet *self, uint32_t row, uint32_t column);
int64_t rowset_get_integer(const RowSet *self, uint32_t row, uint32_t column);
uint32_t rowset_rows(const RowSet *self);

/* Sorts by up to `nkeys` columns (texts bytewise, NULL first) and lays the columns out. */
Status rowset_finish(RowSet *self, const uint32_t *keys, uint32_t nkeys, Error *err) WARN_UNUSED;
uint32_t rowset_column_count(const RowSet *self);
const ColumnInfo *rowset_column(const RowSet *self, uint32_t index);
const BatchView *rowset_batch(const RowSet *self);

#endif
