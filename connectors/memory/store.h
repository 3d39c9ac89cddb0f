/*
 * store.h - the process-wide store of tables in memory.
 *
 * Catalog  schemas and tables by name; lives as long as the process.
 * Table    columns, keys and a current Version; reference-counted. ALTER TABLE makes a new table of the
 *          same name; transactions that began before go on seeing the old one.
 * Version  an immutable list of row groups; a scan keeps the one that it was planned on.
 *
 * Schemas, tables and rows carry the numbers of the transactions that made and removed them (group.h). A
 * reader sees what a snapshot sees. Who changes what another transaction has changed since the snapshot
 * gets 40001 at once: the first one wins, nobody waits.
 *
 * Locks: the write lock is held by whoever changes rows, names or numbers, and while a transaction ends; the
 * store's lock guards what readers take (names, versions, the newest commit) and is held for moments. The
 * write lock is taken first.
 */
#ifndef TRIB_MEMORY_STORE_H
#define TRIB_MEMORY_STORE_H

#include "connectors/memory/key.h"

#define MEMORY_DEFAULT_SCHEMA "default"

typedef struct MemVersion {
    _Atomic uint32_t references;
    uint32_t ngroups;
    MemGroup *groups[]; /* ids ascend from group to group */
} MemVersion;

typedef struct MemTable {
    _Atomic uint32_t references;
    const TribHost *host;
    Arena *arena; /* names, types, keys */
    const char *schema, *name, *comment;
    uint32_t ncolumns;
    TribColumn *columns;
    uint32_t nkeys;
    MemKey *keys;          /* the slots: under the write lock */
    _Atomic uint64_t rows; /* committed and alive */
    uint32_t identity;     /* 1 + the column that is numbered where no value is given; 0 = none */
    _Atomic int64_t next_number;
    /* Guarded by the store's lock. */
    struct MemTable *next;     /* in its schema */
    uint64_t created, dropped; /* numbers of transactions; dropped 0 = not */
    MemVersion *version;
    /* Guarded by the write lock. */
    uint64_t next_id;
    uint32_t writers;  /* transactions with changes of rows */
    uint64_t dead;     /* rows that new snapshots do not see */
    uint64_t sweep_at; /* so many dead rows are worth a look */
    uint64_t lost;     /* snapshots before this commit may miss rows in the keys' slots */
    bool ever_dead;    /* slots of keys may refer to rows that do not count */
    bool waiting;      /* in the list of tables with rows that only old snapshots see */
    struct MemTable *next_waiting;
} MemTable;

typedef struct MemCatalog MemCatalog; /* of the store: never freed */

/* A transaction of one catalog. Its snapshot may be taken by any thread; it is changed by one at a time. */
typedef struct MemTx MemTx;

Status store_catalog(const TribHost *host, const char *name, MemCatalog **out,
                     Error *err) WARN_UNUSED;
const char *store_catalog_name(const MemCatalog *self);

/*
 * What a transaction sees (tx NULL: what is committed). The visitors are called under the store's lock and
 * must not call the store.
 */
void store_each_schema(MemCatalog *self, const MemTx *tx,
                       bool (*visit)(void *context, const char *schema), void *context);
void store_each_table(MemCatalog *self, const MemTx *tx, const char *schema,
                      bool (*visit)(void *context, const MemTable *table), void *context);
bool store_has_schema(MemCatalog *self, const MemTx *tx, const char *schema);
/* One reference, or NULL. */
MemTable *store_table(MemCatalog *self, const MemTx *tx, const char *schema, const char *name);
/* 42S02. */
Status store_no_table(const MemCatalog *self, const char *schema, const char *name, Error *err);

/* Changes of names belong to the transaction. 42S01, 3F000, 40001 if another transaction is at it. */
Status store_create_schema(MemCatalog *self, MemTx *tx, const char *schema, bool if_not_exists,
                           Error *err) WARN_UNUSED;
Status store_drop_schema(MemCatalog *self, MemTx *tx, const char *schema, bool if_exists,
                         bool cascade, Error *err) WARN_UNUSED;
/* The schema takes a reference of its own. TRIB_EXISTS: 42S01. */
Status store_add_table(MemCatalog *self, MemTx *tx, MemTable *table, Error *err) WARN_UNUSED;
/*
 * `next` NULL: the table is dropped; else `next`, which nobody has seen, takes its place (its name may be another). With
 * `source` it gets the rows: source[i] is the column of `table`, or UINT32_MAX for a new one with `value`.
 */
Status store_replace_table(MemCatalog *self, MemTx *tx, MemTable *table, MemTable *next,
                           const uint32_t *source, const TribValue *value, Error *err) WARN_UNUSED;

/* A table that no schema holds yet; one reference. keys: of TribTable, or NULL. */
Status table_new(const TribHost *host, const TribTable *definition, MemTable **out,
                 Error *err) WARN_UNUSED;
void table_retain(MemTable *self);
void table_release(MemTable *self); /* NULL is allowed */
/* Adds a key, before others see the table. */
Status table_add_key(MemTable *self, const TribKey *key, bool index, Error *err) WARN_UNUSED;
/*
 * Numbers for `count` rows of the identity column, from *first on, above `above` and all that were given before. Never
 * given twice, also if the transaction is rolled back. 22003: there are no more in the column's type.
 */
Status table_take_numbers(MemTable *self, int64_t above, uint32_t count, int64_t *first,
                          Error *err) WARN_UNUSED;
/* "PRIMARY KEY (id)", for messages. */
void key_describe(const MemTable *self, const MemKey *key, Buf *out);
/* The current version (one reference) and the newest commit number. */
MemVersion *table_version(MemTable *self, uint64_t *commit);
void version_release(MemVersion *self);

#define LOOKUP_MOST 24

typedef struct MemHit {
    MemGroup *group; /* of the version */
    uint32_t row;
} MemHit;

/* key NULL: no unique key was given, or it cannot be used now. */
typedef struct MemLookup {
    MemVersion *version; /* one reference */
    uint64_t commit;     /* the newest when it was taken */
    const MemKey *key;
    uint32_t nhits;
    MemHit hits[LOOKUP_MOST]; /* every row with the key that some snapshot may see */
} MemLookup;

/* The current version and, where `equal` (by column, NULL = any value) gives a unique key, its rows. On failure,
 * too, the version is to be released. */
Status table_lookup(MemTable *self, const MemTx *tx, const TribValue *const *equal, MemLookup *out,
                    Error *err) WARN_UNUSED;
/* Where the row stands. */
bool version_find(const MemVersion *self, uint64_t id, MemGroup **group, uint32_t *row);

Status tx_begin(MemCatalog *catalog, MemTx **out, Error *err) WARN_UNUSED;
/* Makes everything of the transaction visible at once, or takes it back. Frees it. Cannot fail. */
void tx_end(MemTx *self, bool commit);
/* One level: what was done since tx_set_mark is taken back by tx_go_back. */
void tx_set_mark(MemTx *self);
void tx_go_back(MemTx *self);
MemSnapshot tx_snapshot(const MemTx *self);
/* Rows of the table that the transaction sees; those of others that commit meanwhile may be among them. */
uint64_t tx_rows(const MemTx *self, const MemTable *table);
MemCatalog *tx_catalog(const MemTx *self);

/*
 * One writing statement of a transaction on one table. Scans of its transaction see nothing of it before it
 * has ended.
 */
typedef struct MemStatement {
    MemTx *tx;
    MemTable *table;
    uint64_t number;
    uint64_t rows_deleted;
    struct TxTable *log;        /* NULL = nothing changed yet */
    uint32_t inserted, deleted; /* of the log, when the statement began */
} MemStatement;

/* 54000: too many statements. `table` is borrowed until the end. */
Status statement_begin(MemStatement *self, MemTx *tx, MemTable *table, Error *err) WARN_UNUSED;
/* Deletes rows by their ids. 40001 if another transaction has changed one, 21000 if this statement has. */
Status statement_delete(MemStatement *self, const uint64_t *ids, uint32_t count,
                        Error *err) WARN_UNUSED;
/*
 * Adds sealed groups, all or none, and checks the keys (after all deletions of the statement). 23000: err->row is
 * the row among those of all groups.
 */
Status statement_insert(MemStatement *self, MemGroup *const *groups, uint32_t count,
                        Error *err) WARN_UNUSED;
/* keep: false takes everything back. */
void statement_end(MemStatement *self, bool keep);

#endif
