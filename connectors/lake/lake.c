/*
 * lake.c - the lake connector: its table of callbacks, opening and closing of catalogs.
 *
 * A catalog is a folder, local or in S3, whose files are tables. The layers, from the bottom: store
 * (where bytes are) - codec (decompression) - format (bytes to rows) - table (which files) - plan, split,
 * scan (what the engine asks). See README.md for the files.
 */
#include "connectors/lake/lake.h"

#include "connectors/lake/plan.h"

static TribStatus lake_open(const TribHost *host, const char *name, const TribOption *options,
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
    if (status == TRIB_OK) status = lake_config(catalog, options, noptions, err);
    if (status != TRIB_OK) {
        if (catalog && catalog->s3) catalog->s3->free(catalog->s3);
        arena_free(arena);
        return error_source(err, name);
    }
    *out = catalog;
    return TRIB_OK;
}

static void lake_close(TribCatalog *catalog) {
    if (catalog->s3) catalog->s3->free(catalog->s3);
    arena_free(catalog->arena);
}

static Status table_count(void *context, const char *name) {
    ++*(uint32_t *)context;
    return TRIB_OK;
}

static TribStatus lake_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                             TribError *err) {
    uint32_t count = 0;
    Status status = table_each(catalog, call, table_count, &count, err);
    if (status != TRIB_OK) return error_source(err, catalog->name);
    text_format(text, size, "%s, %u table%s", catalog->path, count, count == 1 ? "" : "s");
    return TRIB_OK;
}

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "lake",
    .summary = "files in a folder: CSV, JSON",
    .flags = TRIB_VALID_TEXT,
    .library_reserve = 3 * 1024 * 1024, /* a block of a file, its offsets, a decoder */
    .options = lake_options,
    .open = lake_open,
    .close = lake_close,
    .check = lake_check,
    .list_schemas = lake_list_schemas,
    .list_tables = lake_list_tables,
    .describe_table = lake_describe_table,
    .plan = lake_plan,
    .plan_retain = lake_plan_retain,
    .plan_release = lake_plan_release,
    .splits = lake_splits,
    .scan_open = lake_scan_open,
    .scan_next = lake_scan_next,
    .scan_cancel = lake_scan_cancel,
    .scan_stats = lake_scan_stats,
    .scan_release = lake_scan_release,
};

const TribConnector *trib_connector(void) {
    return &connector;
}
