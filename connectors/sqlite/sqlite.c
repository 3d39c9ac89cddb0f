/*
 * sqlite.c - the SQLite connector: its table of callbacks, opening and closing of catalogs.
 *
 * A catalog is one database file. Nothing is opened before the first metadata call or scan; the pool
 * (connection.c) then opens connections as they are needed. See README.md for the files.
 */
#include "connectors/sqlite/sqlite_internal.h"

#include <stdio.h>

static TribStatus lite_open(const TribHost *host, const char *name, const TribOption *options,
                            uint32_t noptions, TribCatalog **out, TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribCatalog *catalog = ARENA_NEW(arena, TribCatalog);
    Status status = TRIB_OK;
    if (catalog) {
        catalog->arena = arena;
        catalog->host = host;
        catalog->name = arena_strdup(arena, name);
    }
    if (!catalog || !catalog->name) status = error_out_of_memory(err);
    if (status == TRIB_OK) status = lite_config(catalog, options, noptions, err);
    if (status != TRIB_OK) {
        arena_free(arena);
        return error_source(err, name);
    }
    *out = catalog;
    return TRIB_OK;
}

static void lite_close(TribCatalog *catalog) {
    pool_free(catalog->pool);
    arena_free(catalog->arena);
}

static TribStatus lite_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                             TribError *err) {
    LiteDb *db;
    sqlite3_stmt *stmt = NULL;
    bool row;
    TRY(lite_take(catalog, call, NULL, &db, err));
    static const char sql[] =
        "SELECT (SELECT count(*) FROM main.sqlite_schema WHERE type IN ('table', 'view')), "
        "(SELECT journal_mode FROM pragma_journal_mode), (SELECT encoding FROM pragma_encoding)";
    Status status = lite_prepare(catalog, db, sql, sizeof sql - 1, &stmt, err);
    if (status == TRIB_OK) status = lite_step(catalog, db, stmt, &row, err);
    if (status == TRIB_OK) {
        snprintf(text, size, "SQLite %s, %s, %lld tables and views, journal %s, %s",
                 sqlite3_libversion(), catalog->readwrite ? "read-write" : "read-only",
                 (long long)sqlite3_column_int64(stmt, 0),
                 (const char *)sqlite3_column_text(stmt, 1),
                 (const char *)sqlite3_column_text(stmt, 2));
    }
    sqlite3_finalize(stmt);
    lite_give(catalog, db);
    return status;
}

/* As ddl.c spells them. */
static const TribType column_types[] = {
    {.id = TRIB_TYPE_BOOLEAN}, {.id = TRIB_TYPE_TINYINT},   {.id = TRIB_TYPE_SMALLINT},
    {.id = TRIB_TYPE_INTEGER}, {.id = TRIB_TYPE_BIGINT},    {.id = TRIB_TYPE_REAL},
    {.id = TRIB_TYPE_DOUBLE},  {.id = TRIB_TYPE_DECIMAL},   {.id = TRIB_TYPE_CHAR},
    {.id = TRIB_TYPE_VARCHAR}, {.id = TRIB_TYPE_VARBINARY}, {.id = TRIB_TYPE_DATE},
    {.id = TRIB_TYPE_TIME},    {.id = TRIB_TYPE_TIMESTAMP}, {.id = TRIB_TYPE_UUID},
    {.id = TRIB_TYPE_UNKNOWN},
};

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "sqlite",
    .summary = "tables of an SQLite database file",
    .flags = TRIB_FIXED_SCHEMAS | TRIB_ONE_WRITER,
    .library_reserve = 4 * 1024 * 1024, /* page cache of 2 MB, statement, sorter */
    .options = lite_options,
    .open = lite_open,
    .close = lite_close,
    .check = lite_check,
    .list_schemas = lite_list_schemas,
    .list_tables = lite_list_tables,
    .describe_table = lite_describe_table,
    .plan = lite_plan,
    .plan_retain = lite_plan_retain,
    .plan_release = lite_plan_release,
    .splits = lite_splits,
    .scan_open = lite_scan_open,
    .scan_next = lite_scan_next,
    .scan_cancel = lite_scan_cancel,
    .scan_stats = lite_scan_stats,
    .scan_release = lite_scan_release,
    .write_open = lite_write_open,
    .write_batch = lite_write_batch,
    .write_close = lite_write_close,
    .ddl = lite_ddl,
    .tx_begin = lite_tx_begin,
    .tx_end = lite_tx_end,
    .tx_mark = lite_tx_mark,
    .modify = lite_modify,
    .isolations = TRIB_SERIALIZABLE,
    .default_isolation = TRIB_SERIALIZABLE,
    .passthrough = lite_passthrough,
    .list_references = lite_list_references,
    .writable = lite_writable,
    .column_types = column_types,
};

const TribConnector *trib_connector(void) {
    return &connector;
}
