/*
 * scan.h - inside the SQLite connector: plans and running scans (scan.c), the reading of rows (read.c).
 */
#ifndef TRIB_SQLITE_SCAN_H
#define TRIB_SQLITE_SCAN_H

#include <pthread.h>

#include "connectors/sqlite/sqlite_internal.h"
#include "connectors/support/batch_builder.h"

struct TribPlan {
    _Atomic uint32_t refs;
    Arena *arena; /* holds the plan itself */
    TribCatalog *catalog;
    SqlSelect select;
    const char *text;
    const char *table; /* for messages */
    const char *rowid; /* NULL = rows cannot be named or cut into ranges */
    bool plain_table;  /* FROM is main.table */
    double rows;
    pthread_mutex_t lock; /* guards the arena once the plan is out: splits() */
};

/* A range of the rowid; the outer ends are open, so that rows added meanwhile are not lost. */
typedef struct LiteRange {
    bool has_low, has_high;
    int64_t low, high; /* low <= rowid < high */
} LiteRange;

/* An output column while it is read. */
typedef struct LiteColumn {
    LiteKind kind;
    uint64_t mismatches; /* read as NULL */
    const char *name;
    const char *declared;
} LiteColumn;

struct TribScan {
    Arena *arena; /* holds the scan itself */
    TribCatalog *catalog;
    TribPlan *plan; /* retained */
    TribCall *call;
    atomic_bool cancelled;
    LiteDb *db;
    sqlite3_stmt *stmt;
    sqlite3_value *value; /* of the cell that is being read */
    BatchBuilder *builder;
    uint32_t ncolumns;
    LiteColumn *columns;
    bool done, warned;
    uint64_t rows, bytes;
    int64_t wait_ns;
};

/* Reads the statement's current row into the builder's row. */
Status lite_read_row(TribScan *scan, Error *err) WARN_UNUSED;
/* Reports values that were read as NULL, once. */
void lite_read_warn(TribScan *scan);

#endif
