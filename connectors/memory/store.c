/*
 * store.c - catalogs, schemas, tables, their versions and transactions.
 *
 * One mutex guards all names, the versions that tables point to and the counter of commits. It is held
 * for pointer work only, except when a small commit merges the last row groups of a table (at most
 * GROUP_ROWS rows are copied; merging doubles group sizes, so that a million single-row inserts copy
 * each row about sixteen times, and scans find few groups).
 *
 * A forked child inherits the tables. The lock is taken around fork, so that it is whole there.
 */
#include "config.h"

#include <pthread.h>
#include <string.h>

#include "connectors/memory/store.h"
#include "connectors/support/call.h"

typedef struct MemSchema {
    struct MemSchema *next;
    MemTable *tables; /* in order of creation */
    char name[];
} MemSchema;

struct MemCatalog {
    MemCatalog *next;
    MemSchema *schemas;
    char name[];
};

typedef struct TxEntry {
    struct TxEntry *next;
    MemTable *table;
    MemGroup *group; /* NULL: the table was created */
} TxEntry;

struct MemTx {
    MemCatalog *catalog;
    uint64_t number;
    TxEntry *entries;
};

static struct {
    pthread_mutex_t lock;
    MemCatalog *catalogs;
    uint64_t commits;
    uint64_t transactions;
} store = {.lock = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t store_once = PTHREAD_ONCE_INIT;

static void store_lock(void) {
    pthread_mutex_lock(&store.lock);
}

static void store_unlock(void) {
    pthread_mutex_unlock(&store.lock);
}

static void store_watch_forks(void) {
    (void)pthread_atfork(store_lock, store_unlock, store_unlock);
}

static void *named_new(size_t head, const char *name) {
    size_t length = strlen(name);
    char *memory = heap_alloc(head + length + 1);
    if (memory) memcpy(memory + head, name, length);
    return memory;
}

/* ---------------------------------------------------------------- catalogs and schemas */

static MemSchema *schema_add(MemCatalog *catalog, const char *name) {
    MemSchema *schema = named_new(sizeof *schema, name);
    if (!schema) return NULL;
    MemSchema **end = &catalog->schemas;
    while (*end) end = &(*end)->next;
    return *end = schema;
}

static MemSchema **schema_place(MemCatalog *catalog, const char *name) {
    MemSchema **place = &catalog->schemas;
    while (*place && strcmp((*place)->name, name) != 0) place = &(*place)->next;
    return place;
}

Status store_catalog(const TribHost *host, const char *name, MemCatalog **out, Error *err) {
    (void)host;
    pthread_once(&store_once, store_watch_forks);
    store_lock();
    MemCatalog *catalog = store.catalogs;
    while (catalog && strcmp(catalog->name, name) != 0) catalog = catalog->next;
    if (!catalog) {
        catalog = named_new(sizeof *catalog, name);
        if (catalog && !schema_add(catalog, MEMORY_DEFAULT_SCHEMA)) {
            heap_free(catalog);
            catalog = NULL;
        }
        if (catalog) {
            catalog->next = store.catalogs;
            store.catalogs = catalog;
        }
    }
    store_unlock();
    *out = catalog;
    return catalog ? TRIB_OK : error_out_of_memory(err);
}

const char *store_catalog_name(const MemCatalog *self) {
    return self->name;
}

void store_each_schema(MemCatalog *self, bool (*visit)(void *context, const char *schema),
                       void *context) {
    store_lock();
    for (MemSchema *schema = self->schemas; schema; schema = schema->next) {
        if (!visit(context, schema->name)) break;
    }
    store_unlock();
}

void store_each_table(MemCatalog *self, const char *schema,
                      bool (*visit)(void *context, const MemTable *table), void *context) {
    bool more = true;
    store_lock();
    for (MemSchema *at = self->schemas; at && more; at = at->next) {
        if (schema && strcmp(schema, at->name) != 0) continue;
        for (MemTable *table = at->tables; table && more; table = table->next)
            more = visit(context, table);
    }
    store_unlock();
}

bool store_has_schema(MemCatalog *self, const char *schema) {
    store_lock();
    bool found = *schema_place(self, schema) != NULL;
    store_unlock();
    return found;
}

Status store_create_schema(MemCatalog *self, const char *schema, bool if_not_exists, Error *err) {
    Status status = TRIB_OK;
    store_lock();
    if (*schema_place(self, schema)) {
        if (!if_not_exists)
            status = error_set(err, ERR_TABLE_EXISTS, "the schema %s.%s exists already", self->name,
                               schema);
    } else if (!schema_add(self, schema)) {
        status = error_out_of_memory(err);
    }
    store_unlock();
    return status;
}

Status store_drop_schema(MemCatalog *self, const char *schema, bool if_exists, Error *err) {
    Status status = TRIB_OK;
    store_lock();
    MemSchema **place = schema_place(self, schema), *found = *place;
    if (!found) {
        if (!if_exists)
            status =
                error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->name, schema);
    } else if (found->tables) {
        (void)error_set(err, ERR_SYNTAX, "the schema %s.%s is not empty", self->name, schema);
        status = error_hint(err, "drop its tables first");
    } else {
        *place = found->next;
        heap_free(found);
    }
    store_unlock();
    return status;
}

/* ---------------------------------------------------------------- tables */

static Status type_keep(Arena *arena, TribType type, uint32_t depth, TribType *out, Error *err) {
    *out = type;
    if (!type.fields) return TRIB_OK;
    if (depth > 64)
        return error_set(err, ERR_LIMIT, "a column's type is nested more than 64 levels deep");
    uint32_t count = type.fields->count;
    TribTypeFields *fields;
    TRY_ALLOC(fields, arena_alloc(arena, sizeof *fields + count * sizeof(TribTypeField)), err);
    fields->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = type.fields->field[i].name;
        if (name) TRY_ALLOC(fields->field[i].name, arena_strdup(arena, name), err);
        TRY(type_keep(arena, type.fields->field[i].type, depth + 1, &fields->field[i].type, err));
    }
    out->fields = fields;
    return TRIB_OK;
}

static Status columns_keep(MemTable *self, const TribTable *definition, Error *err) {
    self->ncolumns = definition->ncolumns;
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, TribColumn, self->ncolumns), err);
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        const TribColumn *from = &definition->columns[i];
        TribColumn *to = &self->columns[i];
        *to = (TribColumn){.nullable = from->nullable,
                           .hidden = from->hidden,
                           .distinct = -1,
                           .null_fraction = -1};
        TRY_ALLOC(to->name, arena_strdup(self->arena, from->name), err);
        if (from->comment) TRY_ALLOC(to->comment, arena_strdup(self->arena, from->comment), err);
        TRY(type_keep(self->arena, from->type, 0, &to->type, err));
        /* Refuses what cannot be stored before any row comes. */
        Chunk probe;
        Status status = chunk_init(&probe, self->host, to->type, 0, err);
        chunk_clear(&probe, self->host);
        if (status != TRIB_OK) {
            (void)error_detail(err, "column: %s", from->name);
            return status;
        }
    }
    return TRIB_OK;
}

static MemVersion *version_new(uint32_t ngroups) {
    MemVersion *self = heap_alloc(sizeof *self + ngroups * sizeof(MemGroup *));
    if (self) atomic_init(&self->references, 1);
    return self;
}

void version_release(MemVersion *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->ngroups; i++) group_release(self->groups[i]);
    heap_free(self);
}

Status table_new(const TribHost *host, const TribTable *definition, MemTable **out, Error *err) {
    MemTable *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    self->host = host;
    self->arena = arena_new(NULL);
    self->version = version_new(0);
    Status status = TRIB_OK;
    if (!self->arena || !self->version ||
        !(self->schema = arena_strdup(self->arena, definition->schema)) ||
        !(self->name = arena_strdup(self->arena, definition->name)) ||
        (definition->comment && !(self->comment = arena_strdup(self->arena, definition->comment))))
        status = error_out_of_memory(err);
    if (status == TRIB_OK) status = columns_keep(self, definition, err);
    if (status != TRIB_OK) {
        table_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void table_retain(MemTable *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void table_release(MemTable *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    version_release(self->version);
    arena_free(self->arena);
    heap_free(self);
}

static MemTable **table_place(MemSchema *schema, const char *name) {
    MemTable **place = &schema->tables;
    while (*place && strcmp((*place)->name, name) != 0) place = &(*place)->next;
    return place;
}

MemTable *store_table(MemCatalog *self, const char *schema, const char *name) {
    store_lock();
    MemSchema *at = *schema_place(self, schema);
    MemTable *table = at ? *table_place(at, name) : NULL;
    if (table) table_retain(table);
    store_unlock();
    return table;
}

Status store_add_table(MemCatalog *self, MemTable *table, Error *err) {
    Status status = TRIB_OK;
    store_lock();
    MemSchema *schema = *schema_place(self, table->schema);
    MemTable **place = schema ? table_place(schema, table->name) : NULL;
    if (!schema) {
        status =
            error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->name, table->schema);
    } else if (*place) {
        status = error_set(err, ERR_TABLE_EXISTS, "the table %s.%s.%s exists already", self->name,
                           table->schema, table->name);
    } else {
        table_retain(table);
        *place = table;
    }
    store_unlock();
    return status;
}

/* Under the lock: takes the table out of its schema. */
static MemTable *table_unlink(MemCatalog *catalog, const char *schema, const char *name) {
    MemSchema *at = *schema_place(catalog, schema);
    MemTable **place = at ? table_place(at, name) : NULL;
    MemTable *table = place ? *place : NULL;
    if (table) {
        *place = table->next;
        table->next = NULL;
        table->dropped = true;
    }
    return table;
}

Status store_drop_table(MemCatalog *self, const char *schema, const char *name, bool if_exists,
                        Error *err) {
    store_lock();
    MemTable *table = table_unlink(self, schema, name);
    store_unlock();
    if (!table && !if_exists)
        return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s.%s.%s", self->name, schema,
                         name);
    table_release(table);
    return TRIB_OK;
}

MemVersion *table_version(MemTable *self, uint64_t *commit) {
    store_lock();
    MemVersion *version = self->version;
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    *commit = store.commits;
    store_unlock();
    return version;
}

/* ---------------------------------------------------------------- row groups */

Status group_new(const MemTable *table, MemGroup **out, Error *err) {
    MemGroup *self;
    TRY_ALLOC(self, host_alloc(table->host, sizeof *self + table->ncolumns * sizeof(Chunk)), err);
    memset(self, 0, sizeof *self + table->ncolumns * sizeof(Chunk));
    atomic_init(&self->references, 1);
    self->host = table->host;
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        self->ncolumns = i + 1;
        Status status = chunk_init(&self->columns[i], table->host, table->columns[i].type, 0, err);
        if (status != TRIB_OK) {
            group_release(self);
            return status;
        }
    }
    *out = self;
    return TRIB_OK;
}

Status group_append(MemGroup *self, const struct ArrowArray *array, uint32_t from, uint32_t count,
                    Error *err) {
    for (uint32_t i = 0; i < self->ncolumns; i++)
        TRY(chunk_append(&self->columns[i], self->host, array->children[i], array->offset + from,
                         count, err));
    self->rows += count;
    return TRIB_OK;
}

Status group_seal(MemGroup *self, Error *err) {
    self->bytes = sizeof *self + self->ncolumns * sizeof(Chunk);
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        TRY(chunk_seal(&self->columns[i], self->host, err));
        self->bytes += chunk_bytes(&self->columns[i]);
    }
    return TRIB_OK;
}

void group_retain(MemGroup *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void group_release(MemGroup *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->ncolumns; i++) chunk_clear(&self->columns[i], self->host);
    host_free(self->host, self->delete_tx);
    host_free(self->host, self);
}

static bool number_visible(uint64_t number, MemSnapshot snapshot) {
    return number & TX_PENDING ? number == snapshot.own : number <= snapshot.commit;
}

bool group_visible(const MemGroup *self, MemSnapshot snapshot) {
    return number_visible(atomic_load_explicit(&self->insert_tx, memory_order_acquire), snapshot);
}

bool group_row_visible(const MemGroup *self, uint32_t row, MemSnapshot snapshot) {
    if (!self->delete_tx) return true;
    uint64_t deleted = atomic_load_explicit(&self->delete_tx[row], memory_order_acquire);
    return deleted == 0 || !number_visible(deleted, snapshot);
}

/* ---------------------------------------------------------------- appending */

/* The chunk as an array that lives as long as `children` does, for chunk_append. */
static void chunk_view(const Chunk *chunk, struct ArrowArray **next, struct ArrowArray ***pointers,
                       struct ArrowArray *out) {
    *out = (struct ArrowArray){.length = chunk->length,
                               .null_count = chunk->nulls,
                               .n_buffers = chunk->nbuffers,
                               .n_children = chunk->nchildren,
                               .buffers = chunk->buffers,
                               .children = *pointers};
    *pointers += chunk->nchildren;
    for (uint32_t i = 0; i < chunk->nchildren; i++) {
        out->children[i] = (*next)++;
    }
    for (uint32_t i = 0; i < chunk->nchildren; i++)
        chunk_view(&chunk->children[i], next, pointers, out->children[i]);
}

static Status group_copy_into(MemGroup *into, const MemGroup *from, Error *err) {
    uint32_t narrays = 0;
    for (uint32_t i = 0; i < from->ncolumns; i++) narrays += from->columns[i].narrays;
    size_t bytes = narrays * (sizeof(struct ArrowArray) + sizeof(struct ArrowArray *));
    struct ArrowArray *arrays, *next;
    TRY_ALLOC(arrays, heap_alloc(bytes), err);
    struct ArrowArray **pointers = (struct ArrowArray **)(arrays + narrays), **columns = pointers;
    next = arrays;
    pointers += from->ncolumns;
    for (uint32_t i = 0; i < from->ncolumns; i++) columns[i] = next++;
    for (uint32_t i = 0; i < from->ncolumns; i++)
        chunk_view(&from->columns[i], &next, &pointers, columns[i]);
    struct ArrowArray whole = {
        .length = from->rows, .n_children = from->ncolumns, .children = columns};
    Status status = group_append(into, &whole, 0, from->rows, err);
    heap_free(arrays);
    return status;
}

/* May the two be one group? Only what everybody sees, and of which nothing was deleted. */
static bool group_mergeable(const MemGroup *last, uint32_t rows) {
    return !(atomic_load(&last->insert_tx) & TX_PENDING) && !last->delete_tx &&
           last->rows <= 2 * rows && last->rows + rows <= GROUP_ROWS;
}

/*
 * Merges `group` with the last groups of the version while those are small; *keep = how many of the
 * version's groups stay. The merged group takes over the reference.
 */
static Status group_merge(const MemTable *table, const MemVersion *version, MemGroup **group,
                          uint32_t *keep, Error *err) {
    uint32_t first = version->ngroups, rows = (*group)->rows;
    while (first > 0 && group_mergeable(version->groups[first - 1], rows))
        rows += version->groups[--first]->rows;
    *keep = first;
    if (first == version->ngroups) return TRIB_OK;
    MemGroup *merged;
    TRY(group_new(table, &merged, err));
    Status status = TRIB_OK;
    for (uint32_t i = first; i < version->ngroups && status == TRIB_OK; i++)
        status = group_copy_into(merged, version->groups[i], err);
    if (status == TRIB_OK) status = group_copy_into(merged, *group, err);
    if (status == TRIB_OK) status = group_seal(merged, err);
    if (status != TRIB_OK) {
        group_release(merged);
        return status;
    }
    group_release(*group);
    *group = merged;
    return TRIB_OK;
}

/*
 * Under the lock: the table's next version, with its groups from `keep` on replaced by the given ones.
 * A merged group carries the newest number: an older snapshot has its own version.
 */
static Status version_replace(MemTable *self, uint32_t keep, uint32_t count, MemGroup **groups,
                              Error *err) {
    MemVersion *old = self->version, *next;
    TRY_ALLOC(next, version_new(keep + count), err);
    next->ngroups = keep + count;
    for (uint32_t i = 0; i < keep; i++) {
        next->groups[i] = old->groups[i];
        group_retain(next->groups[i]);
    }
    for (uint32_t i = 0; i < count; i++) next->groups[keep + i] = groups[i];
    for (uint32_t i = 0; i < next->ngroups; i++) {
        if (!(atomic_load(&next->groups[i]->insert_tx) & TX_PENDING))
            next->rows += next->groups[i]->rows;
    }
    self->version = next;
    version_release(old);
    return TRIB_OK;
}

static Status tx_add(MemTx *self, MemTable *table, MemGroup *group, Error *err) {
    TxEntry *entry;
    TRY_ALLOC(entry, heap_alloc(sizeof *entry), err);
    table_retain(table);
    if (group) group_retain(group);
    *entry = (TxEntry){self->entries, table, group};
    self->entries = entry;
    return TRIB_OK;
}

static Status append_committed(MemTable *self, uint32_t count, MemGroup **groups, Error *err) {
    uint32_t keep;
    TRY(group_merge(self, self->version, &groups[0], &keep, err));
    uint64_t number = store.commits + 1;
    for (uint32_t i = 0; i < count; i++) atomic_store(&groups[i]->insert_tx, number);
    TRY(version_replace(self, keep, count, groups, err));
    store.commits = number;
    return TRIB_OK;
}

static void entries_free(TxEntry *entry, const TxEntry *end) {
    while (entry != end) {
        TxEntry *next = entry->next;
        table_release(entry->table);
        group_release(entry->group);
        heap_free(entry);
        entry = next;
    }
}

static Status append_pending(MemTable *self, MemTx *tx, uint32_t count, MemGroup **groups,
                             Error *err) {
    TxEntry *before = tx->entries;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++) {
        atomic_store(&groups[i]->insert_tx, tx->number);
        status = tx_add(tx, self, groups[i], err);
    }
    if (status == TRIB_OK)
        status = version_replace(self, self->version->ngroups, count, groups, err);
    if (status != TRIB_OK) {
        entries_free(tx->entries, before);
        tx->entries = before;
    }
    return status;
}

Status table_append(MemTable *self, MemTx *tx, uint32_t count, MemGroup **groups, Error *err) {
    Status status = TRIB_OK;
    if (count == 0) return TRIB_OK;
    store_lock();
    if (self->dropped)
        status = error_set(err, ERR_TABLE_NOT_FOUND, "the table %s.%s was dropped meanwhile",
                           self->schema, self->name);
    else
        status = tx ? append_pending(self, tx, count, groups, err)
                    : append_committed(self, count, groups, err);
    store_unlock();
    for (uint32_t i = 0; status != TRIB_OK && i < count; i++) group_release(groups[i]);
    return status;
}

/* ---------------------------------------------------------------- transactions */

Status tx_begin(MemCatalog *catalog, MemTx **out, Error *err) {
    MemTx *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    store_lock();
    self->number = TX_PENDING | ++store.transactions;
    store_unlock();
    *out = self;
    return TRIB_OK;
}

uint64_t tx_number(const MemTx *self) {
    return self ? self->number : 0;
}

Status tx_note_created(MemTx *self, MemTable *table, Error *err) {
    return tx_add(self, table, NULL, err);
}

/* Under the lock: takes every group of the transaction out of the table's version. */
static Status table_undo(MemTable *table, uint64_t number, Error *err) {
    MemVersion *old = table->version, *next;
    TRY_ALLOC(next, version_new(old->ngroups), err);
    for (uint32_t i = 0; i < old->ngroups; i++) {
        MemGroup *group = old->groups[i];
        if (atomic_load(&group->insert_tx) == number) continue;
        group_retain(group);
        next->groups[next->ngroups++] = group;
    }
    atomic_store(&next->rows, atomic_load(&old->rows));
    table->version = next;
    version_release(old);
    return TRIB_OK;
}

Status tx_end(MemTx *self, bool commit, Error *err) {
    Status status = TRIB_OK;
    store_lock();
    uint64_t number = store.commits + 1;
    for (TxEntry *entry = self->entries; entry; entry = entry->next) {
        MemTable *table = entry->table;
        if (entry->group && commit) {
            atomic_store(&entry->group->insert_tx, number);
            table->version->rows += entry->group->rows;
        } else if (entry->group) {
            /* Without memory the groups stay, invisible for ever: nothing shows but the memory. */
            Status undone = table_undo(table, self->number, err);
            if (status == TRIB_OK) status = undone;
        } else if (!commit && !table->dropped) {
            table_release(table_unlink(self->catalog, table->schema, table->name));
        }
    }
    if (commit) store.commits = number;
    store_unlock();
    entries_free(self->entries, NULL);
    heap_free(self);
    return status;
}
