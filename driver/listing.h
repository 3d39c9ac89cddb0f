/*
 * listing.h - rows in memory: the results of catalog functions, in the engine's column form, so that
 * they go through the same fetch as everything else.
 */
#ifndef TRIB_DRIVER_LISTING_H
#define TRIB_DRIVER_LISTING_H

#include "driver/odbc.h"
#include "engine/tributary.h"

typedef enum RowKind { ROW_TEXT, ROW_SMALLINT, ROW_INTEGER } RowKind;

typedef struct RowColumn {
    const char *name;
    uint8_t kind;
    bool nullable;
    uint16_t length; /* of texts */
} RowColumn;

typedef struct Listing Listing;

/* columns: static. Lives in an arena of its own until listing_free; NULL: out of memory. */
Listing *listing_new(const RowColumn *columns, uint32_t count);
void listing_free(Listing *self);
/* Version 2 names for some columns: renames before listing_finish. */
void listing_rename(Listing *self, uint32_t column, const char *name);

/* A new row, all NULL; then its cells. Failures of memory are remembered for listing_finish. */
void listing_row(Listing *self);
/* Cells go into row `row` until the next listing_row. */
void listing_select(Listing *self, uint32_t row);
void listing_text(Listing *self, uint32_t column, Str text); /* copied; NULL data = NULL */
void listing_integer(Listing *self, uint32_t column, int64_t value);
Str listing_get_text(const Listing *self, uint32_t row, uint32_t column);
int64_t listing_get_integer(const Listing *self, uint32_t row, uint32_t column);
uint32_t listing_rows(const Listing *self);

/* Sorts by up to `nkeys` columns (texts bytewise, NULL first) and lays the columns out. */
Status listing_finish(Listing *self, const uint32_t *keys, uint32_t nkeys, Error *err) WARN_UNUSED;
uint32_t listing_column_count(const Listing *self);
const ColumnInfo *listing_column(const Listing *self, uint32_t index);
const BatchView *listing_batch(const Listing *self);

#endif
