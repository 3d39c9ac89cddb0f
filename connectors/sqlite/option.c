/*
 * option.c - the options of an SQLite catalog.
 */
#include "connectors/sqlite/sqlite_internal.h"

const TribOptionDef lite_options[] = {
    {.name = "path", .kind = TRIB_OPTION_STRING, .required = true, .help = "the database file"},
    {.name = "mode",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "readonly",
     .choices = "readonly|readwrite",
     .help = "readwrite opens the file for writing too (a WAL database in a folder of one's own "
             "may need it)"},
    {.name = "on_mismatch",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "error",
     .choices = "error|null|varchar",
     .help = "a stored value that is not of its column's declared type: fail the query, read it as "
             "NULL with a "
             "warning, or describe every column whose type the file does not enforce as varchar"},
    {.name = "declared_exact",
     .kind = TRIB_OPTION_BOOLEAN,
     .default_value = "false",
     .help = "every stored value is of its column's declared type and in canonical form (dates as "
             "YYYY-MM-DD): "
             "comparisons, ORDER BY and LIMIT may run in SQLite exactly"},
    {.name = "busy_timeout",
     .kind = TRIB_OPTION_DURATION_MS,
     .default_value = "5000",
     .min = 0,
     .max = 3600000,
     .help = "how long to wait for a lock that another process holds"},
    {.name = "max_connections",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "4",
     .min = 1,
     .max = 256,
     .help = "most connections open at a time"},
    {.name = "parallel",
     .kind = TRIB_OPTION_CHOICE,
     .default_value = "off",
     .choices = "off|relaxed",
     .help = "relaxed: read ranges of the rowid over several connections; each sees the file as of "
             "its own start"},
    {.name = "hide",
     .kind = TRIB_OPTION_LIST,
     .help = "patterns (* and ?) of tables and views that are not shown"},
    {.name = NULL},
};

Status lite_config(TribCatalog *catalog, const TribOption *values, uint32_t count, Error *err) {
    Options options;
    TRY(options_init(&options, catalog->name, lite_options, values, count, err));
    const char *path = option_text(&options, "path");
    if (!*path)
        return option_error(&options, "path", err,
                            "option \"path\" is empty: it names the database file");
    if (strcmp(path, ":memory:") == 0) {
        option_error(&options, "path", err,
                     "option \"path\" must be a file: every connection would see its own :memory:");
        return error_hint(err, "a catalog of type \"memory\" holds tables in RAM");
    }
    TRY_ALLOC(catalog->path, arena_strdup(catalog->arena, path), err);
    catalog->readwrite = option_choice(&options, "mode") == 1;
    catalog->on_mismatch = (OnMismatch)option_choice(&options, "on_mismatch");
    catalog->declared_exact = option_boolean(&options, "declared_exact");
    catalog->busy_ms = option_integer(&options, "busy_timeout", 5000);
    catalog->parallel = (Parallel)option_choice(&options, "parallel");
    TRY(option_list(&options, catalog->arena, "hide", &catalog->hidden, &catalog->nhidden, err));
    uint32_t most = (uint32_t)option_integer(&options, "max_connections", 4);
    enum { IDLE_MS = 60000 };
    TRY_ALLOC(catalog->pool, pool_new(&lite_hooks, catalog, catalog->name, most, IDLE_MS), err);
    return TRIB_OK;
}

bool lite_hidden(const TribCatalog *catalog, const char *table) {
    for (uint32_t i = 0; i < catalog->nhidden; i++) {
        if (name_matches(catalog->hidden[i], str_from(table))) return true;
    }
    return false;
}
