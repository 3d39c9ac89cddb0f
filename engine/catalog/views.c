/*
 * views.c - see views.h. The table `view` of the metastore:
 *
 *   view(name, text, catalog, schema, definition, created)
 *
 * `definition` is a described table as encode.c writes it: the columns and the comment. Unlike what is
 * cached in the metastore, a view that cannot be read or stored is an error.
 *
 * The second half is the catalog's source: a connector that is built in. It lists and describes; its
 * tables are never scanned, because the binder puts the query of a view in the view's place.
 */
#include <sqlite3.h>

#include "engine/catalog/internal.h"
#include "engine/catalog/views.h"

/* ---------------------------------------------------------------- the store */

static void warn_once(const LookupContext *context, const char *warning) {
    if (warning && context->call.warn)
        context->call.warn(context->call.warn_context, VIEWS_CATALOG, "01000", warning);
}

/* The database, locked; given back by store_leave. */
static Status store_enter(const LookupContext *context, Metastore **store, sqlite3 **db,
                          Error *err) {
    const char *warning = NULL;
    *store = catalogs_metastore(context->catalogs, &warning);
    warn_once(context, warning);
    if (!*store) *store = metastore_of_process();
    *db = *store ? metastore_enter(*store) : NULL;
    return *db ? TRIB_OK : error_set(err, ERR_IO, "the store of views cannot be opened");
}

static void store_leave(Metastore *store) {
    metastore_leave(store);
}

static Status store_failure(sqlite3 *db, Error *err) {
    if (sqlite3_errcode(db) == SQLITE_NOMEM) return error_out_of_memory(err);
    return error_set(err, ERR_IO, "the store of views reported: %s", sqlite3_errmsg(db));
}

static Status statement_new(sqlite3 *db, const char *sql, sqlite3_stmt **out, Error *err) {
    return sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK ? TRIB_OK
                                                                   : store_failure(db, err);
}

static void bind_str(sqlite3_stmt *statement, int index, Str text) {
    (void)sqlite3_bind_text64(statement, index, text.data ? text.data : "", text.len,
                              SQLITE_TRANSIENT, SQLITE_UTF8);
}

static Status column_str(sqlite3_stmt *statement, int index, Arena *arena, Str *out, Error *err) {
    const void *bytes = sqlite3_column_blob(statement, index);
    size_t length = (size_t)sqlite3_column_bytes(statement, index);
    char *copy;
    TRY_ALLOC(copy, arena_copy(arena, bytes ? bytes : "", length), err);
    *out = (Str){copy, length};
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading */

static Status view_read(sqlite3_stmt *row, Arena *arena, View **out, Error *err) {
    View *view;
    Str name, definition;
    TRY_ALLOC(view, ARENA_NEW(arena, View), err);
    TRY(column_str(row, 0, arena, &name, err));
    TRY(column_str(row, 1, arena, &view->text, err));
    TRY(column_str(row, 2, arena, &view->catalog, err));
    TRY(column_str(row, 3, arena, &view->schema, err));
    TRY(column_str(row, 4, arena, &definition, err));
    if (!table_decode(arena, definition, &view->table)) {
        if (arena_exhausted(arena)) return error_out_of_memory(err);
        (void)error_set(err, ERR_GENERAL, "the stored definition of view %s is damaged", name.data);
        return error_hint(err, "create it anew with CREATE OR REPLACE VIEW");
    }
    view->table.name = name.data;
    *out = view;
    return TRIB_OK;
}

static Status find(sqlite3 *db, Str name, Arena *arena, View **out, Error *err) {
    sqlite3_stmt *row;
    *out = NULL;
    TRY(statement_new(
        db, "SELECT name, text, catalog, schema, definition FROM view WHERE name = ?1", &row, err));
    bind_str(row, 1, name);
    Status status = TRIB_OK;
    switch (sqlite3_step(row)) {
    case SQLITE_ROW: status = view_read(row, arena, out, err); break;
    case SQLITE_DONE: break;
    default: status = store_failure(db, err); break;
    }
    (void)sqlite3_finalize(row);
    return status;
}

Status views_find(const LookupContext *context, Str name, Arena *arena, View **out, Error *err) {
    Metastore *store;
    sqlite3 *db;
    TRY(store_enter(context, &store, &db, err));
    Status status = find(db, name, arena, out, err);
    store_leave(store);
    return status;
}

static Status list(sqlite3 *db, TribNames *names, Error *err) {
    sqlite3_stmt *rows;
    Status status = TRIB_OK;
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    status = statement_new(
        db, "SELECT name, text, catalog, schema, definition FROM view ORDER BY name", &rows, err);
    while (status == TRIB_OK) {
        View *view;
        int code = sqlite3_step(rows);
        if (code == SQLITE_DONE) break;
        status = code == SQLITE_ROW ? view_read(rows, arena, &view, err) : store_failure(db, err);
        if (status == TRIB_OK && !names->table(names->self, VIEWS_SCHEMA, view->table.name,
                                               TRIB_TABLE_VIEW, view->table.comment))
            break;
        arena_reset(arena);
    }
    (void)sqlite3_finalize(rows);
    arena_free(arena);
    return status;
}

Status views_list(const LookupContext *context, TribNames *names, Error *err) {
    Metastore *store;
    sqlite3 *db;
    TRY(store_enter(context, &store, &db, err));
    Status status = list(db, names, err);
    store_leave(store);
    return status;
}

/* ---------------------------------------------------------------- writing */

static Status run(sqlite3 *db, sqlite3_stmt *statement, int *changes, Error *err) {
    int code = sqlite3_step(statement);
    *changes = sqlite3_changes(db);
    Status status = code == SQLITE_DONE ? TRIB_OK : store_failure(db, err);
    (void)sqlite3_finalize(statement);
    return status;
}

static Status put(sqlite3 *db, const View *view, Str definition, bool replace, Error *err) {
    sqlite3_stmt *statement;
    int changes;
    TRY(statement_new(db,
                      replace ? "INSERT OR REPLACE INTO view VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                              : "INSERT OR IGNORE INTO view VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                      &statement, err));
    bind_str(statement, 1, str_from(view->table.name));
    bind_str(statement, 2, view->text);
    bind_str(statement, 3, view->catalog);
    bind_str(statement, 4, view->schema);
    (void)sqlite3_bind_blob64(statement, 5, definition.data, definition.len, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 6, os_realtime_us());
    TRY(run(db, statement, &changes, err));
    if (changes > 0) return TRIB_OK;
    (void)error_set(err, ERR_TABLE_EXISTS, "the view %s.%s.%s exists already", VIEWS_CATALOG,
                    VIEWS_SCHEMA, view->table.name);
    return error_hint(err, "CREATE OR REPLACE VIEW takes its place");
}

Status views_put(const LookupContext *context, const View *view, bool replace, Error *err) {
    Metastore *store;
    sqlite3 *db;
    Buf definition;
    buf_init(&definition, NULL, (size_t)64 << 20);
    Status status = table_encode(&definition, &view->table, err);
    if (status == TRIB_OK) status = store_enter(context, &store, &db, err);
    if (status == TRIB_OK) {
        status = put(db, view, buf_view(&definition), replace, err);
        store_leave(store);
    }
    buf_clear(&definition);
    return status;
}

Status views_drop(const LookupContext *context, Str name, bool *existed, Error *err) {
    Metastore *store;
    sqlite3 *db;
    sqlite3_stmt *statement;
    int changes = 0;
    *existed = false;
    TRY(store_enter(context, &store, &db, err));
    Status status = statement_new(db, "DELETE FROM view WHERE name = ?1", &statement, err);
    if (status == TRIB_OK) {
        bind_str(statement, 1, name);
        status = run(db, statement, &changes, err);
    }
    store_leave(store);
    *existed = changes > 0;
    return status;
}

/* ---------------------------------------------------------------- the source */

struct TribCatalog {
    LookupContext context; /* the set, and nothing that a session chose */
};

bool catalog_holds_views(const Catalog *self) {
    return strcmp(self->type, VIEWS_CATALOG) == 0;
}

static TribStatus open_refused(const TribHost *host, const char *name, const TribOption *options,
                               uint32_t noptions, TribCatalog **out, TribError *err) {
    return error_set(err, ERR_UNSUPPORTED,
                     "the catalog of views is there without being configured");
}

static void close_source(TribCatalog *catalog) {
    heap_free(catalog);
}

static bool count_view(void *self, const char *schema, const char *name, TribTableKind kind,
                       const char *comment) {
    uint32_t *count = self;
    ++*count;
    return true;
}

static TribStatus check_source(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                               TribError *err) {
    uint32_t count = 0;
    TribNames names = {.self = &count, .table = count_view};
    TRY(views_list(&catalog->context, &names, err));
    const char *path = metastore_path(catalogs_metastore(catalog->context.catalogs, NULL));
    (void)text_format(text, size, "%u views in %s", count, path ? path : "memory");
    return TRIB_OK;
}

static TribStatus list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                               TribError *err) {
    names->schema(names->self, VIEWS_SCHEMA);
    return TRIB_OK;
}

static TribStatus list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                              TribNames *names, TribError *err) {
    if (schema && strcmp(schema, VIEWS_SCHEMA) != 0) return TRIB_OK;
    return views_list(&catalog->context, names, err);
}

static TribStatus describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                                 const char *table, TribNames *names, TribError *err) {
    Arena *arena;
    View *view = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = TRIB_OK;
    if (str_equal_fold(str_from(schema), STR(VIEWS_SCHEMA)))
        status = views_find(&catalog->context, str_from(table), arena, &view, err);
    if (status == TRIB_OK && !view)
        status = error_set(err, ERR_TABLE_NOT_FOUND, "there is no view %s.%s", schema, table);
    if (status == TRIB_OK) status = names->described(names->self, &view->table, err);
    arena_free(arena);
    return status;
}

static TribStatus plan_refused(TribCatalog *catalog, TribCall *call, TribOffer *offer,
                               TribPlan **out, TribError *err) {
    return error_set(err, ERR_GENERAL, "a view was asked for rows");
}

static const TribOptionDef no_options[] = {{.name = NULL}};

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof connector,
    .type = VIEWS_CATALOG,
    .summary = "stored queries over any catalogs",
    .flags = TRIB_PROCESS_STATE,
    .options = no_options,
    .open = open_refused,
    .close = close_source,
    .check = check_source,
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .describe_table = describe_table,
    .plan = plan_refused,
};

Status views_source(CatalogSet *set, const char *name, Source **out, Error *err) {
    TribCatalog *catalog;
    TRY_ALLOC(catalog, heap_alloc(sizeof *catalog), err);
    catalog->context.catalogs = set;
    return source_wrap(&connector, name, catalog, out, err);
}
