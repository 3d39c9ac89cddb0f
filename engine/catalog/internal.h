/*
 * internal.h - what the files of engine/catalog share.
 */
#ifndef TRIB_CATALOG_INTERNAL_H
#define TRIB_CATALOG_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/json.h"
#include "engine/base/os.h"
#include "engine/catalog/catalog.h"

/* ---- configuration (config.c) */

typedef struct ConfigCatalog {
    Str name;
    Str type;
    uint32_t line, column;           /* of the name */
    uint32_t type_line, type_column; /* of the value of "type" */
    const JsonValue *members;        /* the object */
} ConfigCatalog;

uint32_t config_catalog_count(const Config *self);
const ConfigCatalog *config_catalog(const Config *self, uint32_t index);
/* An error that names file, line and column; hints may be added. */
Status config_error(const Config *self, uint32_t line, uint32_t column, Error *err,
                    const char *format, ...) PRINTF_LIKE(5, 6);
/* Adds "did you mean ...? Valid: a, b, c" over the names given. */
Status config_suggest(Error *err, Str given, uint32_t count, const char *const *names);
/* Replaces ${env:X} and ${file:/p}; $${ stands for ${. */
Status config_expand(const Config *self, Arena *arena, Str text, uint32_t line, uint32_t column,
                     size_t max, Str *out, Error *err) WARN_UNUSED;
bool config_has_reference(Str text);

/* ---- options (options.c) */

/* What every catalog takes, whatever its connector. */
typedef struct CommonOptions {
    uint32_t max_connections;
    double max_requests_per_second;
    int64_t metadata_ttl; /* seconds; < 0 = the session's */
    const char *default_schema, *comment;
    const JsonValue *script; /* NULL = none */
    uint32_t nhide;
    Str *hide;
} CommonOptions;

typedef struct CatalogOptions {
    CommonOptions common;
    TribOption *options; /* of the connector */
    uint32_t noptions;
    Str identity; /* of the catalog for caches that live longer than the process: no secrets in it */
} CatalogOptions;

/* Reads the members that every catalog has; the connector is not needed. Other members are skipped. */
Status options_common(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                      CommonOptions *out, Error *err) WARN_UNUSED;
/* Checks all the others against the connector's table and resolves references to secrets. */
Status options_check(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                     const TribOptionDef *defs, CatalogOptions *out, Error *err) WARN_UNUSED;
/* The text of a script, with references resolved. */
Status options_script(const Config *config, Arena *arena, const ConfigCatalog *catalog,
                      const JsonValue *script, Str *out, Error *err) WARN_UNUSED;
/* Does a name match a pattern with * and ?, without regard to ASCII case? */
bool pattern_matches(Str pattern, Str name);

/* ---- metadata as bytes (encode.c) */

typedef struct NameEntry {
    const char *schema, *name, *comment;
    TribTableKind kind;
} NameEntry;

typedef struct NameList {
    uint32_t count, capacity;
    NameEntry *entries;
} NameList;

Status table_copy(Arena *arena, const TribTable *from, TribTable *to, Error *err) WARN_UNUSED;
Status table_encode(Buf *out, const TribTable *table, Error *err) WARN_UNUSED;
/* false: not a table as this version writes it. */
bool table_decode(Arena *arena, Str data, TribTable *out);
Status names_encode(Buf *out, const NameList *names, Error *err) WARN_UNUSED;
bool names_decode(Arena *arena, Str data, NameList *out);
Status names_add(Arena *arena, NameList *self, const char *schema, const char *name,
                 TribTableKind kind, const char *comment, Error *err) WARN_UNUSED;

/* ---- the metastore (metastore.c) */

typedef struct Metastore Metastore;

/* Finds or opens, one reference; NULL without an error: in memory only, *warning says why (or NULL). */
Metastore *metastore_open(Str path, const char **warning);
void metastore_release(Metastore *self);
/* One in memory that lasts as long as the process; not to be released. NULL: memory is exhausted. */
Metastore *metastore_of_process(void);
/* Its database, with its lock held until metastore_leave; NULL (and no lock) in a forked child. */
struct sqlite3 *metastore_enter(Metastore *self);
void metastore_leave(Metastore *self);
const char *metastore_path(const Metastore *self); /* NULL of NULL */
/* An entry that is at most `ttl_us` old; false: none. `kind` 't' table, 's' schemas, 'l' tables of a schema. */
bool metastore_get(Metastore *self, Str identity, char kind, const char *schema, const char *name,
                   int64_t ttl_us, Arena *arena, Str *data, int64_t *fetched_us);
/* Nothing is kept if the catalog's version is not `version` any more: the data may be older than a change. */
void metastore_put(Metastore *self, Str identity, char kind, const char *schema, const char *name,
                   Str data, int64_t fetched_us, int64_t version);
/* name NULL: the whole catalog. Counts the catalog's version up. */
void metastore_invalidate(Metastore *self, Str identity, const char *schema, const char *name);
/* The catalog's version. */
int64_t metastore_version(Metastore *self, Str identity);
/* Counts up when another process has written: then versions are worth asking for. Looks at most every
 * 50 ms, and costs microseconds. */
uint64_t metastore_changes(Metastore *self);

/* ---- the cache of the process (cache.c) */

/* A described table or a list of names, shared by the sessions of the process. */
typedef struct CachedItem {
    _Atomic uint32_t references;
    Arena *arena;
    int64_t fetched_us; /* os_realtime_us */
    TribTable table;
    NameList names;
} CachedItem;

typedef struct MetaCache MetaCache;

/* Finds or makes the cache of an identity, one reference. NULL when memory is exhausted. */
MetaCache *cache_open(Str identity);
void cache_release(MetaCache *self);
void item_release(CachedItem *self);
/* The next three work on one entry; `store` may be NULL. One reference, or NULL. */
CachedItem *cache_get(MetaCache *self, Metastore *store, char kind, const char *schema,
                      const char *name, int64_t ttl_us);
/* What the caches have been told so far, to be taken before the source is asked. */
typedef struct CacheMark {
    uint64_t generation;
    int64_t version; /* of the catalog in the metastore */
} CacheMark;
CacheMark cache_mark(MetaCache *self, Metastore *store);
/* Takes no reference over. Nothing is kept if something was invalidated since the mark. */
void cache_put(MetaCache *self, Metastore *store, CacheMark mark, char kind, const char *schema,
               const char *name, CachedItem *item);
void cache_invalidate(MetaCache *self, Metastore *store, const char *schema, const char *name);
CachedItem *item_new(void);
/* Once per process, before SQLite is used: a fork does not leave its locks held in the child. */
void catalogs_guard_fork(void);

/* ---- catalogs (catalog.c) */

struct Catalog {
    CatalogSet *set;
    const ConfigCatalog *config; /* NULL: built in */
    const char *name, *type;
    CommonOptions common;
    pthread_mutex_t lock; /* guards what follows */
    Source *source;
    MetaCache *cache; /* NULL: what the source says is never cached */
    bool script_running, script_done;
    Catalog
        *info; /* this catalog's information_schema, made at first use; NULL in that one itself */
};

struct CatalogSet {
    _Atomic uint32_t references;
    Arena *arena;
    Config *config;
    Str connector_path, metastore_path;
    uint32_t count;
    Catalog *catalogs;
    pthread_mutex_t lock; /* guards the metastore */
    bool metastore_tried;
    Metastore *metastore;
    const char *metastore_warning; /* not told yet */
};

/* The metastore of the set, opened at the first call; NULL = none. A warning is handed out once, to
 * whoever asks for it (warning not NULL). */
Metastore *catalogs_metastore(CatalogSet *self, const char **warning);
/* The catalog's information_schema, as a catalog whose source is built in. Lives as long as the set. */
Status catalog_info(Catalog *self, Catalog **out, Error *err) WARN_UNUSED;
bool catalog_hides(const Catalog *self, const char *schema, const char *table);

#endif
