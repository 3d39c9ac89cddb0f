/*
 * catalog.h - catalogs, schemas, tables: what names mean.
 *
 * Config      the configuration file, parsed and checked once per connection: an immutable snapshot.
 * CatalogSet  the catalogs of a session: configured ones, opened at first use; `information_schema` is
 *             found in each. Thread-safe.
 * Metadata descriptions are cached per process and in the metastore, with a TTL.
 */
#ifndef TRIB_CATALOG_CATALOG_H
#define TRIB_CATALOG_CATALOG_H

#include "engine/base/settings.h"
#include "engine/source/source.h"

typedef struct Config Config;
typedef struct CatalogSet CatalogSet;
typedef struct Catalog Catalog;

/* path "" = $TRIBUTARY_CONFIG, the user's folder, /etc/tributary; none there = an empty configuration.
 * `text` (not empty) is used instead of a file. Errors: file, line, column, the valid choices. */
Status config_load(Str path, Str text, Config **out, Error *err) WARN_UNUSED;
void config_retain(Config *self);
void config_release(Config *self);
const char *config_path(const Config *self); /* "" = none */
/* Things worth saying about it (01000), such as a file with passwords that others can read. */
uint32_t config_warning_count(const Config *self);
const char *config_warning(const Config *self, uint32_t index);
/* "settings" of the configuration, as text with positions; in order. */
uint32_t config_setting_count(const Config *self);
void config_setting(const Config *self, uint32_t index, Str *name, Str *value, uint32_t *line,
                    uint32_t *column);

Status catalogs_new(Config *config, Str connector_path, Str metastore, CatalogSet **out,
                    Error *err) WARN_UNUSED;
void catalogs_release(CatalogSet *self);
uint32_t catalogs_count(const CatalogSet *self);
Catalog *catalogs_at(const CatalogSet *self, uint32_t index);
/* By name: exact first, then without regard to case (two candidates are an error). NULL-safe: *out NULL
 * and TRIB_OK when there is none. */
Status catalogs_find(const CatalogSet *self, Str name, Catalog **out, Error *err) WARN_UNUSED;

const char *catalog_name(const Catalog *self);
const char *catalog_type(const Catalog *self);
const char *catalog_comment(const Catalog *self);        /* option "comment", else NULL */
const char *catalog_default_schema(const Catalog *self); /* option "default_schema", else NULL */
/* Opens at first use (checks the options, loads the connector, runs the `script` of memory catalogs
 * through the hook). A failure is reported again at the next use, after another attempt. */
Status catalog_source(Catalog *self, Source **out, Error *err) WARN_UNUSED; /* borrowed */
/* What runs the script of a catalog: set once by runtime/ (it lies above this layer). */
typedef Status (*CatalogScriptHook)(CatalogSet *set, Catalog *catalog, Str script, Error *err);
void catalog_set_script_hook(CatalogScriptHook hook);

/* A described table: an immutable snapshot, reference-counted. */
typedef struct TableRef {
    _Atomic uint32_t references;
    Arena *arena;
    Catalog *catalog;
    TribTable table;
    bool statement; /* no table of the catalog but a statement passed on: its name is the text */
} TableRef;
void table_retain(TableRef *self);
void table_release(TableRef *self);

typedef struct LookupContext {
    CatalogSet *catalogs;
    Str catalog, schema; /* session defaults, may be "" */
    SourceCall call;
    int64_t ttl_seconds;
    bool no_views; /* a name of one part means a table of the current schema, or nothing */
} LookupContext;

/*
 * Resolves a name of 1 to 3 parts (decisions: a.b is a schema of the current catalog first, then catalog
 * `a` with its default schema). Not found: 42S02 / 3F000 / 3D000 with the nearest candidates. `how` says
 * in a few words which reading was taken, for EXPLAIN (may be NULL).
 */
Status catalog_lookup_table(const LookupContext *context, uint32_t nparts, const Str *parts,
                            Arena *arena, TableRef **out, const char **how, Error *err) WARN_UNUSED;
/* Resolves `schema`, `catalog.schema` or `catalog` for USE, SHOW, CREATE: names as the source spells them. */
Status catalog_resolve_schema(const LookupContext *context, uint32_t nparts, const Str *parts,
                              Arena *arena, Catalog **catalog, const char **schema,
                              Error *err) WARN_UNUSED;
/* Names, through the cache. The visitor's strings are valid during the call. */
Status catalog_schemas(const LookupContext *context, Catalog *catalog, TribNames *names,
                       Error *err) WARN_UNUSED;
Status catalog_tables(const LookupContext *context, Catalog *catalog, const char *schema,
                      TribNames *names, Error *err) WARN_UNUSED;
Status catalog_describe(const LookupContext *context, Catalog *catalog, const char *schema,
                        const char *table, TableRef **out, Error *err) WARN_UNUSED;
/* Foreign keys of a table, or those that refer to it, by exact names; asked anew each time. */
Status catalog_references(const LookupContext *context, Catalog *catalog, const char *schema,
                          const char *table, bool incoming, TribNames *names,
                          Error *err) WARN_UNUSED;
/* The columns that a statement in the source's own language has, as a table of that text; asked anew each time.
 * HYC00 where the source takes no such statements; the source's own errors with their SQLSTATE. */
Status catalog_passthrough(const LookupContext *context, Catalog *catalog, Str text, TableRef **out,
                           Error *err) WARN_UNUSED;
/* After DDL or a write: drops what is cached of a table (name NULL: of the whole catalog), in every process. */
void catalog_invalidate(Catalog *catalog, const char *schema, const char *table);

#endif
