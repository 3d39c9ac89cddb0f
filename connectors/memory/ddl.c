/*
 * ddl.c - statements about schemas, tables, columns and indexes.
 *
 * A table's definition never changes: ALTER TABLE, RENAME, TRUNCATE and CREATE INDEX make a table that takes the
 * old one's place and shares its columns (store_replace_table). So they are part of transactions, and
 * snapshots that began before see the table as it was.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/scan.h"

/* What a table is to become. */
typedef struct Change {
    TribTable table;
    TribColumn *columns;
    uint32_t *source;      /* by new column: the old one, or UINT32_MAX */
    uint32_t *moved;       /* by old column: the new one, or UINT32_MAX */
    const MemKey *without; /* a key that is left out */
    bool empty;            /* the rows stay behind */
    TribValue value;       /* of the new column */
} Change;

static Status change_begin(const MemTable *from, Arena *arena, Change *out, Error *err) {
    uint32_t room = from->ncolumns + 1;
    *out = (Change){.table = {.size = sizeof(TribTable),
                              .schema = from->schema,
                              .name = from->name,
                              .comment = from->comment,
                              .ncolumns = from->ncolumns,
                              .identity = from->identity}};
    out->value.is_null = true;
    TRY_ALLOC(out->columns, ARENA_ARRAY(arena, TribColumn, room), err);
    TRY_ALLOC(out->source, ARENA_ARRAY(arena, uint32_t, room), err);
    TRY_ALLOC(out->moved, ARENA_ARRAY(arena, uint32_t, room), err);
    memcpy(out->columns, from->columns, from->ncolumns * sizeof(TribColumn));
    out->table.columns = out->columns;
    for (uint32_t i = 0; i < room; i++) out->source[i] = out->moved[i] = i;
    out->source[from->ncolumns] = UINT32_MAX;
    return TRIB_OK;
}

static Status key_move(const Change *change, const MemKey *key, Arena *arena, MemTable *to,
                       Error *err) {
    uint32_t *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(arena, uint32_t, key->ncolumns), err);
    for (uint32_t i = 0; i < key->ncolumns; i++) columns[i] = change->moved[key->columns[i]];
    TribKey moved = {.name = key->name,
                     .primary = key->primary,
                     .unique = key->unique,
                     .ncolumns = key->ncolumns,
                     .columns = columns};
    return table_add_key(to, &moved, key->index, err);
}

/* more: keys that come with the change. */
static Status change_apply(TribCatalog *catalog, MemTx *tx, MemTable *from, const Change *change,
                           Arena *arena, const TribKey *more, uint32_t nmore, bool index,
                           Error *err) {
    MemTable *to;
    TRY(table_new(catalog->host, &change->table, &to, err));
    Status status = TRIB_OK;
    atomic_store(&to->next_number, atomic_load(&from->next_number));
    for (uint32_t i = 0; i < from->nkeys && status == TRIB_OK; i++) {
        if (&from->keys[i] != change->without)
            status = key_move(change, &from->keys[i], arena, to, err);
    }
    for (uint32_t i = 0; i < nmore && status == TRIB_OK; i++)
        status = table_add_key(to, &more[i], index, err);
    if (status == TRIB_OK)
        status = store_replace_table(catalog->store, tx, from, to,
                                     change->empty ? NULL : change->source, &change->value, err);
    table_release(to);
    return status;
}

static bool column_find(const MemTable *table, const char *name, uint32_t *out) {
    for (*out = 0; *out < table->ncolumns; (*out)++) {
        if (strcmp(table->columns[*out].name, name) == 0) return true;
    }
    return false;
}

static Status no_column(const MemTable *table, const char *name, Error *err) {
    return error_set(err, ERR_COLUMN_NOT_FOUND, "the table %s.%s has no column %s", table->schema,
                     table->name, name);
}

static Status column_exists(const MemTable *table, const char *name, Error *err) {
    return error_set(err, ERR_COLUMN_EXISTS, "the table %s.%s has a column %s already",
                     table->schema, table->name, name);
}

/* ---------------------------------------------------------------- columns */

/* The value that the rows which are there get. */
static Status added_value(const TribDdl *ddl, const MemTx *tx, const MemTable *table,
                          TribValue *out, Error *err) {
    const TribColumn *column = &ddl->table->columns[0];
    uint32_t node = ddl->defaults ? ddl->defaults[0] : UINT32_MAX;
    *out = (TribValue){.type = column->type, .is_null = true};
    if (node != UINT32_MAX && node < ddl->nnodes && ddl->nodes[node].kind == TRIB_NODE_LITERAL)
        *out = ddl->values[ddl->nodes[node].ref];
    else if (node != UINT32_MAX || column->default_sql)
        return error_set(err, ERR_UNSUPPORTED,
                         "the DEFAULT of a new column of a table in memory must be a constant");
    if (!out->is_null && out->type.id != column->type.id)
        return error_set(err, ERR_GENERAL, "the DEFAULT of column %s has another type",
                         column->name);
    if (!out->is_null || column->nullable || tx_rows(tx, table) == 0) return TRIB_OK;
    return error_set(err, ERR_CONSTRAINT,
                     "the new column %s of %s.%s must not be NULL: it needs a DEFAULT",
                     column->name, table->schema, table->name);
}

static Status ddl_add_column(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                             Arena *arena, Error *err) {
    Change change;
    uint32_t there;
    if (!ddl->table || ddl->table->ncolumns != 1)
        return error_set(err, ERR_GENERAL, "one column is added at a time");
    if (column_find(table, ddl->table->columns[0].name, &there))
        return ddl->if_exists ? TRIB_OK : column_exists(table, ddl->table->columns[0].name, err);
    TRY(change_begin(table, arena, &change, err));
    TRY(added_value(ddl, tx, table, &change.value, err));
    change.columns[table->ncolumns] = ddl->table->columns[0];
    change.table.ncolumns++;
    TribKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(arena, TribKey, ddl->table->nkeys), err);
    for (uint32_t i = 0; i < ddl->table->nkeys; i++) {
        keys[i] = ddl->table->keys[i];
        keys[i].ncolumns = 1;
        keys[i].columns = &table->ncolumns; /* the new one */
    }
    return change_apply(catalog, tx, table, &change, arena, keys, ddl->table->nkeys, false, err);
}

static Status ddl_drop_column(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                              Arena *arena, Error *err) {
    Change change;
    uint32_t column;
    if (!column_find(table, ddl->column, &column))
        return ddl->if_exists ? TRIB_OK : no_column(table, ddl->column, err);
    if (table->ncolumns == 1)
        return error_set(err, ERR_SYNTAX, "%s is the only column of %s.%s", ddl->column,
                         table->schema, table->name);
    for (uint32_t k = 0; k < table->nkeys; k++) {
        for (uint32_t i = 0; i < table->keys[k].ncolumns; i++) {
            if (table->keys[k].columns[i] != column) continue;
            (void)error_set(err, ERR_SYNTAX, "the column %s of %s.%s is part of %s", ddl->column,
                            table->schema, table->name,
                            table->keys[k].primary ? "the PRIMARY KEY" : "a key or index");
            return error_hint(err, "drop the index first; a key stays as long as its table");
        }
    }
    TRY(change_begin(table, arena, &change, err));
    change.table.ncolumns--;
    if (change.table.identity == column + 1)
        change.table.identity = 0;
    else if (change.table.identity > column)
        change.table.identity--;
    for (uint32_t i = column; i < change.table.ncolumns; i++) {
        change.columns[i] = table->columns[i + 1];
        change.source[i] = i + 1;
        change.moved[i + 1] = i;
    }
    return change_apply(catalog, tx, table, &change, arena, NULL, 0, false, err);
}

static Status ddl_rename_column(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx,
                                MemTable *table, Arena *arena, Error *err) {
    Change change;
    uint32_t column, there;
    if (!column_find(table, ddl->column, &column))
        return ddl->if_exists ? TRIB_OK : no_column(table, ddl->column, err);
    if (column_find(table, ddl->new_name, &there) && there != column)
        return column_exists(table, ddl->new_name, err);
    TRY(change_begin(table, arena, &change, err));
    change.columns[column].name = ddl->new_name;
    return change_apply(catalog, tx, table, &change, arena, NULL, 0, false, err);
}

/* ---------------------------------------------------------------- tables and indexes */

static Status ddl_rename_table(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                               Arena *arena, Error *err) {
    Change change;
    TRY(change_begin(table, arena, &change, err));
    change.table.name = ddl->new_name;
    return change_apply(catalog, tx, table, &change, arena, NULL, 0, false, err);
}

static Status ddl_truncate(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                           Arena *arena, Error *err) {
    Change change;
    (void)ddl;
    TRY(change_begin(table, arena, &change, err));
    change.empty = true;
    return change_apply(catalog, tx, table, &change, arena, NULL, 0, false, err);
}

static Status ddl_drop_table(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                             Arena *arena, Error *err) {
    (void)ddl;
    (void)arena;
    return store_replace_table(catalog->store, tx, table, NULL, NULL, NULL, err);
}

static const MemKey *index_find(const MemTable *table, const char *name) {
    for (uint32_t i = 0; i < table->nkeys; i++) {
        if (table->keys[i].index && table->keys[i].name && strcmp(table->keys[i].name, name) == 0)
            return &table->keys[i];
    }
    return NULL;
}

static Status ddl_create_index(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                               Arena *arena, Error *err) {
    Change change;
    uint32_t *columns;
    const TribIndex *index = ddl->index;
    if (index->name && index_find(table, index->name))
        return ddl->if_exists
                   ? TRIB_OK
                   : error_set(err, ERR_INDEX_EXISTS, "the index %s of %s.%s exists already",
                               index->name, table->schema, table->name);
    TRY_ALLOC(columns, ARENA_ARRAY(arena, uint32_t, index->ncolumns), err);
    for (uint32_t i = 0; i < index->ncolumns; i++) columns[i] = index->columns[i].column;
    TRY(change_begin(table, arena, &change, err));
    TribKey key = {.name = index->name,
                   .unique = index->unique,
                   .ncolumns = index->ncolumns,
                   .columns = columns};
    return change_apply(catalog, tx, table, &change, arena, &key, 1, true, err);
}

static Status ddl_drop_index(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                             Arena *arena, Error *err) {
    Change change;
    TRY(change_begin(table, arena, &change, err));
    change.without = index_find(table, ddl->index->name);
    if (!change.without)
        return ddl->if_exists ? TRIB_OK
                              : error_set(err, ERR_INDEX_NOT_FOUND, "%s.%s has no index %s",
                                          table->schema, table->name, ddl->index->name);
    return change_apply(catalog, tx, table, &change, arena, NULL, 0, false, err);
}

typedef struct IndexSearch {
    const char *index;
    Arena *arena;
    const char *table;
    uint32_t found;
} IndexSearch;

static bool visit_indexes(void *context, const MemTable *table) {
    IndexSearch *self = context;
    if (!index_find(table, self->index)) return true;
    self->found++;
    self->table = arena_strdup(self->arena, table->name);
    return true;
}

/* DROP INDEX without a table: the index of that name in the schema. */
static Status index_table(TribCatalog *catalog, const TribDdl *ddl, const MemTx *tx, Arena *arena,
                          const char **out, Error *err) {
    IndexSearch search = {.index = ddl->index->name, .arena = arena};
    store_each_table(catalog->store, tx, ddl->schema, visit_indexes, &search);
    *out = search.table;
    if (search.found == 1 && search.table) return TRIB_OK;
    if (search.found == 1) return error_out_of_memory(err);
    *out = NULL;
    if (search.found == 0 && ddl->if_exists) return TRIB_OK;
    if (search.found == 0)
        return error_set(err, ERR_INDEX_NOT_FOUND, "there is no index %s in schema %s",
                         ddl->index->name, ddl->schema);
    (void)error_set(err, ERR_SYNTAX, "%u tables of schema %s have an index %s", search.found,
                    ddl->schema, ddl->index->name);
    return error_hint(err, "name the table: DROP INDEX %s ON ...", ddl->index->name);
}

static Status create_table(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, Error *err) {
    MemTable *table;
    if (!ddl->table || ddl->table->ncolumns == 0)
        return error_set(err, ERR_SYNTAX, "the table %s.%s.%s would have no columns", catalog->name,
                         ddl->schema, ddl->name);
    TribTable definition = *ddl->table;
    definition.schema = ddl->schema;
    definition.name = ddl->name;
    TRY(table_new(catalog->host, &definition, &table, err));
    Status status = store_add_table(catalog->store, tx, table, err);
    if (status == TRIB_EXISTS && ddl->if_exists) {
        error_clear(err);
        status = TRIB_OK;
    }
    table_release(table);
    return status;
}

/* ---------------------------------------------------------------- carrying out */

typedef Status TableChange(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, MemTable *table,
                           Arena *arena, Error *err);

static TableChange *const changes[] = {
    [TRIB_DDL_DROP_TABLE] = ddl_drop_table,       [TRIB_DDL_RENAME_TABLE] = ddl_rename_table,
    [TRIB_DDL_ADD_COLUMN] = ddl_add_column,       [TRIB_DDL_DROP_COLUMN] = ddl_drop_column,
    [TRIB_DDL_RENAME_COLUMN] = ddl_rename_column, [TRIB_DDL_CREATE_INDEX] = ddl_create_index,
    [TRIB_DDL_DROP_INDEX] = ddl_drop_index,       [TRIB_DDL_TRUNCATE] = ddl_truncate,
};

/* Statements about a table that is there. */
static Status table_change(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, Arena *arena,
                           Error *err) {
    const char *name = ddl->name;
    bool tolerant = ddl->if_exists && ddl->kind == TRIB_DDL_DROP_TABLE;
    if (!name && ddl->kind == TRIB_DDL_DROP_INDEX) {
        TRY(index_table(catalog, ddl, tx, arena, &name, err));
        if (!name) return TRIB_OK;
    }
    MemTable *table = store_table(catalog->store, tx, ddl->schema, name);
    if (!table && tolerant) return TRIB_OK;
    if (!table) return store_no_table(catalog->store, ddl->schema, name, err);
    Status status = changes[ddl->kind](catalog, ddl, tx, table, arena, err);
    table_release(table);
    return status;
}

static Status ddl_run(TribCatalog *catalog, const TribDdl *ddl, MemTx *tx, Arena *arena,
                      Error *err) {
    switch (ddl->kind) {
    case TRIB_DDL_CREATE_TABLE: return create_table(catalog, ddl, tx, err);
    case TRIB_DDL_CREATE_SCHEMA:
        return store_create_schema(catalog->store, tx, ddl->schema, ddl->if_exists, err);
    case TRIB_DDL_DROP_SCHEMA:
        return store_drop_schema(catalog->store, tx, ddl->schema, ddl->if_exists, ddl->cascade,
                                 err);
    default: break;
    }
    if (ddl->kind >= COUNT_OF(changes) || !changes[ddl->kind])
        return error_set(err, ERR_UNSUPPORTED, "catalogs of type memory cannot do this");
    return table_change(catalog, ddl, tx, arena, err);
}

TribStatus memory_ddl(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err) {
    MemTx *tx = ddl->transaction ? ddl->transaction->tx : NULL;
    (void)call;
    if (ddl->plan_only) {
        if (ddl->explain.text) ddl->explain.text(ddl->explain.self, "change of names in memory");
        return TRIB_OK;
    }
    if (!ddl->transaction) TRY(tx_begin(catalog->store, &tx, err));
    Arena *arena = arena_new(NULL);
    Status status = arena ? ddl_run(catalog, ddl, tx, arena, err) : error_out_of_memory(err);
    arena_free(arena);
    if (!ddl->transaction) tx_end(tx, status == TRIB_OK);
    return status;
}
