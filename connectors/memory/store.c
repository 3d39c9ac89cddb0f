/*
 * store.c - catalogs, schemas and the names of tables.
 *
 * A name carries the numbers of the transactions that made and dropped it, like a row: several tables of one
 * name may stand in a schema, of which a snapshot sees at most one. Names that no snapshot sees any more are
 * taken out when a transaction ends.
 *
 * A forked child inherits the tables. Both locks are taken around fork, so that all is whole there; what
 * transactions of other threads had not committed stays invisible in the child.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "connectors/memory/store_internal.h"

Store mem_store;

static pthread_mutex_t write_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t store_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t store_once = PTHREAD_ONCE_INIT;

void store_write_lock(void) {
    pthread_mutex_lock(&write_mutex);
}

bool store_write_trylock(void) {
    return pthread_mutex_trylock(&write_mutex) == 0;
}

void store_write_unlock(void) {
    pthread_mutex_unlock(&write_mutex);
}

void store_lock(void) {
    pthread_mutex_lock(&store_mutex);
}

void store_unlock(void) {
    pthread_mutex_unlock(&store_mutex);
}

static void both_lock(void) {
    store_write_lock();
    store_lock();
}

static void both_unlock(void) {
    store_unlock();
    store_write_unlock();
}

static void store_watch_forks(void) {
    (void)pthread_atfork(both_lock, both_unlock, both_unlock);
}

/* A struct that ends in its name. The name may begin before the end of its `size` bytes. */
static void *named_new(size_t size, size_t offset, const char *name) {
    size_t length = strlen(name);
    char *memory = heap_alloc(size + length + 1);
    if (memory) memcpy(memory + offset, name, length);
    return memory;
}

/* ---------------------------------------------------------------- catalogs */

static MemSchema *schema_add(MemCatalog *catalog, const char *name, uint64_t created) {
    MemSchema *schema = named_new(sizeof *schema, offsetof(MemSchema, name), name);
    if (!schema) return NULL;
    schema->created = created;
    MemSchema **end = &catalog->schemas;
    while (*end) end = &(*end)->next;
    return *end = schema;
}

Status store_catalog(const TribHost *host, const char *name, MemCatalog **out, Error *err) {
    (void)host;
    pthread_once(&store_once, store_watch_forks);
    store_lock();
    MemCatalog *catalog = mem_store.catalogs;
    while (catalog && strcmp(catalog->name, name) != 0) catalog = catalog->next;
    if (!catalog) {
        catalog = named_new(sizeof *catalog, offsetof(MemCatalog, name), name);
        if (catalog && !schema_add(catalog, MEMORY_DEFAULT_SCHEMA, 0)) {
            heap_free(catalog);
            catalog = NULL;
        }
        if (catalog) {
            catalog->next = mem_store.catalogs;
            mem_store.catalogs = catalog;
        }
    }
    store_unlock();
    *out = catalog;
    return catalog ? TRIB_OK : error_out_of_memory(err);
}

const char *store_catalog_name(const MemCatalog *self) {
    return self->name;
}

/* ---------------------------------------------------------------- who sees which name */

/* Statements find names without regard to case, so that two which differ in nothing else could not be told apart. */
static bool name_equal(const char *a, const char *b) {
    return str_equal_fold(str_from(a), str_from(b));
}

/* Under the store's lock. Names made and dropped by the transaction itself show at once. */
static MemSnapshot names_snapshot(const MemTx *tx) {
    if (tx) return (MemSnapshot){tx->commit, tx->number | STATEMENT_MOST};
    return (MemSnapshot){atomic_load(&mem_store.commits), 0};
}

static bool name_seen(uint64_t created, uint64_t dropped, MemSnapshot snapshot) {
    return number_visible(created, snapshot) && !(dropped && number_visible(dropped, snapshot));
}

typedef enum NameState { NAME_GONE, NAME_THERE, NAME_BUSY } NameState;

/* For who changes names: what has been committed counts, whatever the snapshot. */
static NameState name_state(uint64_t created, uint64_t dropped, const MemTx *tx) {
    if (dropped && (number_final(dropped) || number_own(dropped, tx->number))) return NAME_GONE;
    if (dropped) return NAME_BUSY;
    return number_final(created) || number_own(created, tx->number) ? NAME_THERE : NAME_BUSY;
}

void store_each_schema(MemCatalog *self, const MemTx *tx,
                       bool (*visit)(void *context, const char *schema), void *context) {
    store_lock();
    MemSnapshot snapshot = names_snapshot(tx);
    for (MemSchema *schema = self->schemas; schema; schema = schema->next) {
        if (name_seen(schema->created, schema->dropped, snapshot) && !visit(context, schema->name))
            break;
    }
    store_unlock();
}

void store_each_table(MemCatalog *self, const MemTx *tx, const char *schema,
                      bool (*visit)(void *context, const MemTable *table), void *context) {
    bool more = true;
    store_lock();
    MemSnapshot snapshot = names_snapshot(tx);
    for (MemSchema *at = self->schemas; at && more; at = at->next) {
        if (schema && strcmp(schema, at->name) != 0) continue;
        for (MemTable *table = at->tables; table && more; table = table->next) {
            if (name_seen(table->created, table->dropped, snapshot)) more = visit(context, table);
        }
    }
    store_unlock();
}

bool store_has_schema(MemCatalog *self, const MemTx *tx, const char *schema) {
    bool found = false;
    store_lock();
    MemSnapshot snapshot = names_snapshot(tx);
    for (MemSchema *at = self->schemas; at && !found; at = at->next)
        found = name_equal(at->name, schema) && name_seen(at->created, at->dropped, snapshot);
    store_unlock();
    return found;
}

MemTable *store_table(MemCatalog *self, const MemTx *tx, const char *schema, const char *name) {
    MemTable *found = NULL;
    store_lock();
    MemSnapshot snapshot = names_snapshot(tx);
    for (MemSchema *at = self->schemas; at && !found; at = at->next) {
        if (!name_equal(at->name, schema)) continue;
        for (MemTable *table = at->tables; table && !found; table = table->next) {
            if (name_equal(table->name, name) &&
                name_seen(table->created, table->dropped, snapshot))
                found = table;
        }
    }
    if (found) table_retain(found);
    store_unlock();
    return found;
}

Status store_no_table(const MemCatalog *self, const char *schema, const char *name, Error *err) {
    return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s.%s.%s", self->name, schema,
                     name);
}

/* ---------------------------------------------------------------- taking names out */

static void schema_unlink(MemCatalog *catalog, MemSchema *schema) {
    MemSchema **place = &catalog->schemas;
    while (*place != schema) place = &(*place)->next;
    *place = schema->next;
    heap_free(schema);
}

static void table_unlink(MemSchema *schema, MemTable *table, MemTable **freed) {
    MemTable **place = &schema->tables;
    while (*place != table) place = &(*place)->next;
    *place = table->next;
    table->next = *freed;
    *freed = table;
}

static bool name_over(uint64_t dropped, uint64_t oldest) {
    return dropped && number_final(dropped) && dropped <= oldest;
}

void catalog_sweep(MemCatalog *self, uint64_t oldest, MemTable **freed) {
    if (!self->garbage) return;
    self->garbage = false;
    for (MemSchema *schema = self->schemas, *next; schema; schema = next) {
        next = schema->next;
        for (MemTable *table = schema->tables, *after; table; table = after) {
            after = table->next;
            if (name_over(table->dropped, oldest))
                table_unlink(schema, table, freed);
            else if (table->dropped)
                self->garbage = true;
        }
        if (!schema->dropped) continue;
        if (name_over(schema->dropped, oldest) && !schema->tables)
            schema_unlink(self, schema);
        else
            self->garbage = true;
    }
}

void name_undo(MemCatalog *self, const TxName *name, MemTable **freed) {
    if (name->dropped && name->table)
        name->table->dropped = 0;
    else if (name->dropped)
        name->schema->dropped = 0;
    else if (name->table)
        table_unlink(name->schema, name->table, freed);
    else
        schema_unlink(self, name->schema);
}

/* ---------------------------------------------------------------- changing names */

static Status name_conflict(const MemCatalog *self, const char *schema, const char *name,
                            Error *err) {
    (void)error_set(err, ERR_SERIALIZATION, "another transaction is changing %s.%s%s%s", self->name,
                    schema, name ? "." : "", name ? name : "");
    return error_hint(err, "roll back and try again");
}

/* Under both locks. *out NULL: there is none. */
static Status schema_now(MemCatalog *self, const MemTx *tx, const char *name, MemSchema **out,
                         Error *err) {
    *out = NULL;
    for (MemSchema *at = self->schemas; at; at = at->next) {
        if (!name_equal(at->name, name)) continue;
        NameState state = name_state(at->created, at->dropped, tx);
        if (state == NAME_BUSY) return name_conflict(self, name, NULL, err);
        if (state == NAME_THERE) *out = at;
    }
    return TRIB_OK;
}

static Status schema_create(MemCatalog *self, MemTx *tx, const char *name, bool if_not_exists,
                            Error *err) {
    MemSchema *schema;
    TRY(schema_now(self, tx, name, &schema, err));
    if (schema && if_not_exists) return TRIB_OK;
    if (schema)
        return error_set(err, ERR_TABLE_EXISTS, "the schema %s.%s exists already", self->name,
                         name);
    TRY_ALLOC(schema, schema_add(self, name, tx->number), err);
    Status status = tx_note_name(tx, schema, NULL, false, err);
    if (status != TRIB_OK) schema_unlink(self, schema);
    return status;
}

Status store_create_schema(MemCatalog *self, MemTx *tx, const char *schema, bool if_not_exists,
                           Error *err) {
    both_lock();
    Status status = schema_create(self, tx, schema, if_not_exists, err);
    both_unlock();
    return status;
}

/* Others that have changed rows of the table and not ended. */
static bool table_in_use(const MemTable *table, const MemTx *tx) {
    uint32_t own = 0;
    for (const TxTable *log = tx->tables; log; log = log->next) own += log->table == table;
    return table->writers > own;
}

static Status table_drop(MemCatalog *self, MemTx *tx, MemSchema *schema, MemTable *table,
                         Error *err) {
    NameState state = name_state(table->created, table->dropped, tx);
    if (state == NAME_GONE && number_own(table->dropped, tx->number))
        return store_no_table(self, table->schema, table->name, err);
    if (state != NAME_THERE || table_in_use(table, tx))
        return name_conflict(self, table->schema, table->name, err);
    TRY(tx_note_name(tx, schema, table, true, err));
    table->dropped = tx->number;
    return TRIB_OK;
}

static Status schema_drop(MemCatalog *self, MemTx *tx, const char *name, bool if_exists,
                          bool cascade, Error *err) {
    MemSchema *schema;
    TRY(schema_now(self, tx, name, &schema, err));
    if (!schema && if_exists) return TRIB_OK;
    if (!schema)
        return error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->name, name);
    for (MemTable *table = schema->tables; table; table = table->next) {
        NameState state = name_state(table->created, table->dropped, tx);
        if (state == NAME_GONE) continue;
        if (state == NAME_BUSY) return name_conflict(self, name, table->name, err);
        if (!cascade) {
            (void)error_set(err, ERR_SYNTAX, "the schema %s.%s is not empty", self->name, name);
            return error_hint(err, "drop its tables first");
        }
        TRY(table_drop(self, tx, schema, table, err));
    }
    TRY(tx_note_name(tx, schema, NULL, true, err));
    schema->dropped = tx->number;
    return TRIB_OK;
}

Status store_drop_schema(MemCatalog *self, MemTx *tx, const char *schema, bool if_exists,
                         bool cascade, Error *err) {
    both_lock();
    Status status = schema_drop(self, tx, schema, if_exists, cascade, err);
    both_unlock();
    return status;
}

/* Under both locks: is the name free for the transaction? */
static Status table_name_free(const MemCatalog *self, const MemTx *tx, const MemSchema *schema,
                              const char *name, Error *err) {
    for (const MemTable *at = schema->tables; at; at = at->next) {
        if (!name_equal(at->name, name)) continue;
        NameState state = name_state(at->created, at->dropped, tx);
        if (state == NAME_BUSY) return name_conflict(self, schema->name, name, err);
        if (state == NAME_THERE)
            return error_set(err, ERR_TABLE_EXISTS, "the table %s.%s.%s exists already", self->name,
                             schema->name, at->name);
    }
    return TRIB_OK;
}

static Status table_link(MemTx *tx, MemSchema *schema, MemTable *table, Error *err) {
    TRY(tx_note_name(tx, schema, table, false, err));
    MemTable **place = &schema->tables;
    while (*place) place = &(*place)->next;
    *place = table;
    table->created = tx->number;
    table_retain(table);
    return TRIB_OK;
}

static Status table_schema(MemCatalog *self, const MemTx *tx, const MemTable *table,
                           MemSchema **out, Error *err) {
    TRY(schema_now(self, tx, table->schema, out, err));
    if (*out) return TRIB_OK;
    return error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->name, table->schema);
}

static Status table_add(MemCatalog *self, MemTx *tx, MemTable *table, Error *err) {
    MemSchema *schema;
    TRY(table_schema(self, tx, table, &schema, err));
    TRY(table_name_free(self, tx, schema, table->name, err));
    return table_link(tx, schema, table, err);
}

Status store_add_table(MemCatalog *self, MemTx *tx, MemTable *table, Error *err) {
    both_lock();
    Status status = table_add(self, tx, table, err);
    both_unlock();
    return status;
}

/* Under the write lock. The rows are taken over without the store's lock: readers go on meanwhile. */
static Status table_replace(MemCatalog *self, MemTx *tx, MemTable *table, MemTable *next,
                            const uint32_t *source, const TribValue *value, Error *err) {
    MemSchema *schema;
    store_lock();
    Status status = table_schema(self, tx, table, &schema, err);
    if (status == TRIB_OK && next && !name_equal(next->name, table->name))
        status = table_name_free(self, tx, schema, next->name, err);
    if (status == TRIB_OK) status = table_drop(self, tx, schema, table, err);
    store_unlock();
    TRY(status);
    if (next && source) status = table_derive(next, tx, table, source, value, err);
    if (status == TRIB_OK && next) {
        store_lock();
        status = table_link(tx, schema, next, err);
        store_unlock();
    }
    if (status == TRIB_OK) return TRIB_OK;
    store_lock();
    table->dropped = 0;
    store_unlock();
    TxName *name = tx->names;
    tx->names = name->next;
    heap_free(name);
    return status;
}

Status store_replace_table(MemCatalog *self, MemTx *tx, MemTable *table, MemTable *next,
                           const uint32_t *source, const TribValue *value, Error *err) {
    store_write_lock();
    Status status = table_replace(self, tx, table, next, source, value, err);
    store_write_unlock();
    return status;
}
