/*
 * store_internal.h - what the files of the store share (store.c, table.c, tx.c, change.c).
 */
#ifndef TRIB_MEMORY_STORE_INTERNAL_H
#define TRIB_MEMORY_STORE_INTERNAL_H

#include "connectors/memory/store.h"

typedef struct MemSchema {
    struct MemSchema *next;
    MemTable *tables; /* in order of creation; several of one name for different snapshots */
    uint64_t created, dropped;
    char name[];
} MemSchema;

struct MemCatalog {
    MemCatalog *next;
    MemSchema *schemas;
    bool garbage; /* some names may be dropped for everybody */
    char name[];
};

/* Rows by id; the list is reserved first and then filled. */
typedef struct IdRun {
    uint64_t first, count;
} IdRun;

typedef struct IdRuns {
    IdRun *runs;
    uint32_t count, capacity;
} IdRuns;

/* What a transaction has done to a table's rows. */
typedef struct TxTable {
    struct TxTable *next;
    MemTable *table;
    IdRuns inserted, deleted;
    uint32_t mark_inserted, mark_deleted; /* the lengths when the mark was set */
} TxTable;

/* What a transaction has done to names: made or dropped one of the two. */
typedef struct TxName {
    struct TxName *next; /* older */
    MemSchema *schema;
    MemTable *table; /* NULL: the schema itself */
    bool dropped;
    bool since_mark;
} TxName;

struct MemTx {
    MemCatalog *catalog;
    MemTx *next, *previous; /* the active ones; guarded by the store's lock */
    uint64_t number;        /* TX_PENDING | id << STATEMENT_BITS */
    uint64_t commit;        /* the newest commit that it sees */
    _Atomic uint64_t shows; /* statements up to here have ended */
    uint64_t statements;    /* begun; this and the rest: under the write lock */
    uint64_t mark;          /* statements when the mark was set */
    uint32_t running;
    TxTable *tables;
    TxName *names;
};

typedef struct Store {
    MemCatalog *catalogs;
    MemTx *active;
    _Atomic uint64_t commits; /* changed under both locks */
    uint64_t transactions;
    _Atomic(MemTable *) waiting; /* changed under the write lock; one reference each */
} Store;
extern Store mem_store;

void store_write_lock(void);
bool store_write_trylock(void);
void store_write_unlock(void);
void store_lock(void);
void store_unlock(void);

/* Under the write lock: the commit up to which every snapshot sees, now and later. */
uint64_t store_oldest(void);
/* Under both locks: names that nobody sees any more. The tables are put in front of *freed, to be released. */
void catalog_sweep(MemCatalog *self, uint64_t oldest, MemTable **freed);
/* Under both locks: takes a name back that its transaction made or dropped. */
void name_undo(MemCatalog *self, const TxName *name, MemTable **freed);

MemVersion *version_new(uint32_t ngroups, Error *err);
/* Under the write lock: readers get `next` from now on. Takes the reference over. */
void table_publish(MemTable *self, MemVersion *next);
/* The next rows of the run that stand together: false at its end. */
bool version_piece(const MemVersion *self, IdRun *rest, MemGroup **group, uint32_t *from,
                   uint32_t *count);

/* The transaction's log for the table; made if there is none. Under the write lock. */
Status tx_table(MemTx *self, MemTable *table, TxTable **out, Error *err) WARN_UNUSED;
Status tx_note_name(MemTx *self, MemSchema *schema, MemTable *table, bool dropped,
                    Error *err) WARN_UNUSED;
Status ids_reserve(IdRuns *self, const TribHost *host, uint32_t more, Error *err) WARN_UNUSED;
/* Runs before `floor` are left as they are. */
void ids_add(IdRuns *self, uint32_t floor, uint64_t first, uint64_t count);
/* Under the write lock: takes back what the log says from the given lengths on. */
void log_undo(TxTable *self, uint32_t inserted, uint32_t deleted);
/* Under the write lock. `number` commits what the log says. */
void log_commit(TxTable *self, uint64_t number);
/* Under the write lock: rows that nobody can see are dropped if that is worth it. Errors do not matter. */
void table_sweep(MemTable *self);

/* Under the write lock: rows of `groups`, which stand in `next` from id `first` on, take their keys; all or
 * none. */
Status keys_take(MemTable *self, const MemVersion *next, MemGroup *const *groups, uint32_t count,
                 uint64_t first, const MemTx *tx, Error *err) WARN_UNUSED;
void keys_give_back(MemTable *self, const MemGroup *group, uint32_t from, uint32_t count);
/* Under the write lock: all rows of a new table's version take their keys. */
Status keys_fill(MemTable *self, const MemTx *tx, Error *err) WARN_UNUSED;
/* Under the write lock: `self` gets the rows of `from` (store_replace_table). */
Status table_derive(MemTable *self, MemTx *tx, MemTable *from, const uint32_t *source,
                    const TribValue *value, Error *err) WARN_UNUSED;

#endif
