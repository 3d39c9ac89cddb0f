/*
 * store.h - the process-wide store of tables in memory.
 *
 * Store    every catalog of the process by name; lives as long as the process.
 * Table    columns and a current Version; reference-counted.
 * Version  an immutable list of row groups; a scan keeps the one that it was planned on.
 * Group    up to GROUP_ROWS rows in sealed chunks, immutable but for its transaction numbers.
 *
 * A row is visible to a snapshot if its group was inserted by a transaction that committed no later,
 * or by the snapshot's own, and it was not deleted by such a one. Commit numbers count up per store.
 */
#ifndef TRIB_MEMORY_STORE_H
#define TRIB_MEMORY_STORE_H

#include <stdatomic.h>

#include "connectors/memory/chunk.h"
#include "engine/base/text.h"

#define MEMORY_DEFAULT_SCHEMA "default"
/* Numbers from here on belong to transactions that have not committed. */
#define TX_PENDING (UINT64_C(1) << 63)

typedef struct MemGroup {
    _Atomic uint32_t references;
    const TribHost *host;
    uint32_t rows;
    _Atomic uint64_t insert_tx;  /* commit number, or TX_PENDING | transaction id */
    _Atomic uint64_t *delete_tx; /* by row, 0 = not deleted; NULL = nothing was ever deleted */
    uint64_t bytes;
    uint32_t ncolumns;
    Chunk columns[];
} MemGroup;

typedef struct MemVersion {
    _Atomic uint32_t references;
    _Atomic uint64_t rows; /* of committed groups; grows when a transaction commits */
    uint32_t ngroups;
    MemGroup *groups[];
} MemVersion;

typedef struct MemTable {
    _Atomic uint32_t references;
    const TribHost *host;
    Arena *arena;          /* names, types */
    struct MemTable *next; /* in its schema */
    const char *schema, *name;
    const char *comment;
    uint32_t ncolumns;
    TribColumn *columns;
    MemVersion *version; /* guarded by the store's lock */
    bool dropped;        /* guarded by the store's lock */
} MemTable;

typedef struct MemCatalog MemCatalog; /* of the store: never freed */

/* A transaction of one catalog; used by one thread at a time. */
typedef struct MemTx MemTx;

/* What a reader sees. */
typedef struct MemSnapshot {
    uint64_t commit; /* numbers up to here are visible */
    uint64_t own;    /* TX_PENDING | id, or 0 */
} MemSnapshot;

Status store_catalog(const TribHost *host, const char *name, MemCatalog **out,
                     Error *err) WARN_UNUSED;
const char *store_catalog_name(const MemCatalog *self);

/* Calls back under the store's lock: the visitor must not call the store. */
void store_each_schema(MemCatalog *self, bool (*visit)(void *context, const char *schema),
                       void *context);
void store_each_table(MemCatalog *self, const char *schema,
                      bool (*visit)(void *context, const MemTable *table), void *context);
bool store_has_schema(MemCatalog *self, const char *schema);
Status store_create_schema(MemCatalog *self, const char *schema, bool if_not_exists,
                           Error *err) WARN_UNUSED;
Status store_drop_schema(MemCatalog *self, const char *schema, bool if_exists,
                         Error *err) WARN_UNUSED;

/* A table that no schema holds yet; one reference. */
Status table_new(const TribHost *host, const TribTable *definition, MemTable **out,
                 Error *err) WARN_UNUSED;
void table_retain(MemTable *self);
void table_release(MemTable *self);
/* One reference, or NULL. */
MemTable *store_table(MemCatalog *self, const char *schema, const char *name);
/* The schema takes a reference of its own. 42S01, 3F000. */
Status store_add_table(MemCatalog *self, MemTable *table, Error *err) WARN_UNUSED;
Status store_drop_table(MemCatalog *self, const char *schema, const char *name, bool if_exists,
                        Error *err) WARN_UNUSED;

/* The current version (one reference) and the newest commit number. */
MemVersion *table_version(MemTable *self, uint64_t *commit);
void version_release(MemVersion *self);
/* Appends sealed groups (references are taken over, also on failure). tx NULL: commits at once. */
Status table_append(MemTable *self, MemTx *tx, uint32_t count, MemGroup **groups,
                    Error *err) WARN_UNUSED;

/* An empty group for `table`, to be filled by one writer. */
Status group_new(const MemTable *table, MemGroup **out, Error *err) WARN_UNUSED;
/* Appends rows [from, from + count) of a struct array whose children are the table's columns. */
Status group_append(MemGroup *self, const struct ArrowArray *array, uint32_t from, uint32_t count,
                    Error *err) WARN_UNUSED;
Status group_seal(MemGroup *self, Error *err) WARN_UNUSED;
void group_retain(MemGroup *self);
void group_release(MemGroup *self);
bool group_visible(const MemGroup *self, MemSnapshot snapshot);
bool group_row_visible(const MemGroup *self, uint32_t row, MemSnapshot snapshot);

Status tx_begin(MemCatalog *catalog, MemTx **out, Error *err) WARN_UNUSED;
/* Makes everything of the transaction visible at once, or takes it back. Frees it. */
Status tx_end(MemTx *self, bool commit, Error *err) WARN_UNUSED;
uint64_t tx_number(const MemTx *self); /* TX_PENDING | id; NULL: 0 */
/* The table was made by this transaction: rolling back drops it. */
Status tx_note_created(MemTx *self, MemTable *table, Error *err) WARN_UNUSED;

#endif
