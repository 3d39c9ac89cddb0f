/*
 * lookup.c - what names mean, and names of schemas, tables, columns through the cache.
 *
 * A name is tried as written first; if the source does not know it so, its lists decide without regard
 * to case: one candidate is taken, several are an error that names them, none is an error with the
 * nearest names. A name of two parts is a schema of the current catalog first, then a catalog with its
 * default schema.
 *
 * The views' schema `default` is found behind both, so that it can be named like a schema of one's own.
 *
 * What a source of process state (memory) says is never cached: asking it is cheaper.
 */
#include "engine/catalog/information_schema.h"
#include "engine/catalog/internal.h"
#include "engine/catalog/views.h"

#define REFRESH_US INT64_C(2000000) /* a list that lacks a name is asked for again if it is older */
#define CANDIDATES 3

/* ---------------------------------------------------------------- cached metadata */

static int64_t ttl_us(const LookupContext *context, const Catalog *catalog) {
    int64_t seconds =
        catalog->common.metadata_ttl >= 0 ? catalog->common.metadata_ttl : context->ttl_seconds;
    return seconds <= 0 ? 0 : seconds > INT64_MAX / 1000000 ? INT64_MAX : seconds * 1000000;
}

/* The metastore, where the catalog is cached at all. */
static Metastore *store_of(const LookupContext *context, Catalog *catalog) {
    const char *warning;
    if (!catalog->cache) return NULL;
    Metastore *store = catalogs_metastore(catalog->set, &warning);
    if (warning && context->call.warn)
        context->call.warn(context->call.warn_context, catalog->name, "01000", warning);
    return store;
}

typedef struct Collector {
    CachedItem *item;
    Catalog *catalog;
    bool described;
    Status status;
    Error *err;
} Collector;

static bool collect_schema(void *context, const char *name) {
    Collector *self = context;
    if (!name || str_equal_fold(str_from(name), STR("information_schema")))
        return true; /* the engine has its own */
    self->status = names_add(self->item->arena, &self->item->names, name, NULL, TRIB_TABLE_BASE,
                             NULL, self->err);
    return self->status == TRIB_OK;
}

static bool collect_table(void *context, const char *schema, const char *name, TribTableKind kind,
                          const char *comment) {
    Collector *self = context;
    if (!name || catalog_hides(self->catalog, schema, name)) return true;
    self->status =
        names_add(self->item->arena, &self->item->names, schema, name, kind, comment, self->err);
    return self->status == TRIB_OK;
}

static TribStatus collect_described(void *context, const TribTable *table, TribError *err) {
    Collector *self = context;
    self->described = true;
    return table_copy(self->item->arena, table, &self->item->table, err);
}

static Status collect(const LookupContext *context, Source *source, char kind, const char *schema,
                      const char *name, Collector *self, Error *err) {
    TribNames names = {.self = self,
                       .schema = collect_schema,
                       .table = collect_table,
                       .described = collect_described};
    Status status;
    if (kind == 's')
        status = source_list_schemas(source, &context->call, &names, err);
    else if (kind == 'l')
        status = source_list_tables(source, &context->call, schema, &names, err);
    else
        status = source_describe(source, &context->call, schema, name, &names, err);
    if (status == TRIB_OK && self->status != TRIB_OK) status = self->status;
    if (status == TRIB_OK && kind == 't' && !self->described)
        return error_set(err, ERR_GENERAL, "the connector of catalog %s described nothing",
                         self->catalog->name);
    return status;
}

/* One item, from the caches or from the source. One reference. `at_most_us`: how old it may be. Inside a
 * transaction that writes to the catalog its own tables count, which nobody else may see: no cache then. */
static Status item_fetch(const LookupContext *context, Catalog *catalog, char kind,
                         const char *schema, const char *name, int64_t at_most_us, CachedItem **out,
                         Error *err) {
    Source *source;
    TRY(catalog_source(catalog, &source, err));
    Metastore *store = store_of(context, catalog);
    MetaCache *cache = source_call_tx(source, &context->call) ? NULL : catalog->cache;
    if (cache && (*out = cache_get(cache, store, kind, schema, name, at_most_us)) != NULL)
        return TRIB_OK;
    CacheMark mark = {0};
    if (cache) mark = cache_mark(cache, store);
    CachedItem *item;
    TRY_ALLOC(item, item_new(), err);
    Collector collector = {.item = item, .catalog = catalog, .err = err};
    Status status = collect(context, source, kind, schema, name, &collector, err);
    if (status != TRIB_OK) {
        item_release(item);
        return status;
    }
    if (cache && ttl_us(context, catalog) > 0)
        cache_put(cache, store, mark, kind, schema, name, item);
    *out = item;
    return TRIB_OK;
}

static bool is_info(const char *schema) {
    return schema && str_equal_fold(str_from(schema), STR(INFORMATION_SCHEMA));
}

Status catalog_schemas(const LookupContext *context, Catalog *catalog, TribNames *names,
                       Error *err) {
    CachedItem *item;
    TRY(item_fetch(context, catalog, 's', NULL, NULL, ttl_us(context, catalog), &item, err));
    for (uint32_t i = 0; i < item->names.count; i++) {
        if (!names->schema(names->self, item->names.entries[i].schema)) {
            item_release(item);
            return TRIB_OK;
        }
    }
    item_release(item);
    names->schema(names->self, INFORMATION_SCHEMA);
    return TRIB_OK;
}

Status catalog_tables(const LookupContext *context, Catalog *catalog, const char *schema,
                      TribNames *names, Error *err) {
    CachedItem *item;
    if (is_info(schema)) TRY(catalog_info(catalog, &catalog, err));
    TRY(item_fetch(context, catalog, 'l', schema, NULL, ttl_us(context, catalog), &item, err));
    for (uint32_t i = 0; i < item->names.count; i++) {
        const NameEntry *entry = &item->names.entries[i];
        if (!names->table(names->self, entry->schema ? entry->schema : schema, entry->name,
                          entry->kind, entry->comment))
            break;
    }
    item_release(item);
    return TRIB_OK;
}

Status catalog_references(const LookupContext *context, Catalog *catalog, const char *schema,
                          const char *table, bool incoming, TribNames *names, Error *err) {
    Source *source;
    if (is_info(schema)) return TRIB_OK;
    TRY(catalog_source(catalog, &source, err));
    return source_references(source, &context->call, schema, table, incoming, names, err);
}

/* ---------------------------------------------------------------- tables */

void table_retain(TableRef *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void table_release(TableRef *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    arena_free(self->arena);
    heap_free(self);
}

static void item_release_callback(void *item) {
    item_release(item);
}

/* Takes the reference over. */
static Status table_ref(Catalog *catalog, CachedItem *item, TableRef **out, Error *err) {
    TableRef *self = heap_alloc(sizeof *self);
    if (self) self->arena = arena_new(NULL);
    if (!self || !self->arena || !arena_on_reset(self->arena, item_release_callback, item)) {
        if (self) arena_free(self->arena);
        heap_free(self);
        item_release(item);
        return error_out_of_memory(err);
    }
    atomic_init(&self->references, 1);
    self->catalog = catalog;
    self->table = item->table;
    *out = self;
    return TRIB_OK;
}

Status catalog_describe(const LookupContext *context, Catalog *catalog, const char *schema,
                        const char *table, TableRef **out, Error *err) {
    CachedItem *item;
    if (is_info(schema)) {
        const char *spelled = information_schema_table(str_from(table));
        if (!spelled) {
            (void)error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s in information_schema",
                            table);
            return error_hint(err, "there are schemata, tables and columns");
        }
        TRY(catalog_info(catalog, &catalog, err));
        schema = INFORMATION_SCHEMA;
        table = spelled;
    }
    if (catalog_hides(catalog, schema, table))
        return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s.%s.%s", catalog->name,
                         schema, table);
    TRY(item_fetch(context, catalog, 't', schema, table, ttl_us(context, catalog), &item, err));
    return table_ref(catalog, item, out, err);
}

void catalog_invalidate(Catalog *catalog, const char *schema, const char *table) {
    pthread_mutex_lock(&catalog->lock);
    MetaCache *cache = catalog->cache;
    pthread_mutex_unlock(&catalog->lock);
    if (cache) cache_invalidate(cache, catalogs_metastore(catalog->set, NULL), schema, table);
}

/* ---------------------------------------------------------------- finding a name in a list */

/* What a list says about a name. */
typedef struct Found {
    const char *exact, *folded,
        *other; /* other: a second one that is equal without regard to case */
    uint32_t ncandidates;
    const char *candidates[CANDIDATES]; /* the nearest first */
    uint32_t distances[CANDIDATES];
    bool nothing; /* the list is empty */
} Found;

static void found_near(Found *self, Str wanted, const char *name) {
    uint32_t limit = wanted.len <= 3 ? 1 : wanted.len <= 8 ? 2 : 3;
    uint32_t distance = str_distance(wanted, str_from(name), limit);
    if (distance > limit) return;
    uint32_t at = self->ncandidates;
    while (at > 0 && self->distances[at - 1] > distance) at--;
    if (at == CANDIDATES) return;
    uint32_t moved = self->ncandidates < CANDIDATES ? self->ncandidates : CANDIDATES - 1;
    for (uint32_t i = moved; i > at; i--) {
        self->candidates[i] = self->candidates[i - 1];
        self->distances[i] = self->distances[i - 1];
    }
    self->candidates[at] = name;
    self->distances[at] = distance;
    if (self->ncandidates < CANDIDATES) self->ncandidates++;
}

static void found_look(Found *self, Str wanted, const char *name) {
    if (str_equal(str_from(name), wanted))
        self->exact = name;
    else if (str_equal_fold(str_from(name), wanted)) {
        if (self->folded)
            self->other = name;
        else
            self->folded = name;
    } else
        found_near(self, wanted, name);
}

static Found found_in(const NameList *names, Str wanted, bool tables) {
    Found found = {0};
    for (uint32_t i = 0; i < names->count; i++)
        found_look(&found, wanted, tables ? names->entries[i].name : names->entries[i].schema);
    return found;
}

static Status found_ambiguous(const Found *found, ErrorCode code, const char *what, Str wanted,
                              Error *err) {
    (void)error_set(err, code, "the %s name \"" STR_FORMAT "\" is ambiguous", what,
                    STR_ARGS(wanted));
    return error_hint(
        err, "there are \"%s\" and \"%s\"; write one of them as it is spelled, in double quotes",
        found->folded, found->other);
}

static Status found_hint(const Found *found, Error *err) {
    switch (found->ncandidates) {
    case 0: return err->status;
    case 1: return error_hint(err, "did you mean \"%s\"?", found->candidates[0]);
    case 2:
        return error_hint(err, "did you mean \"%s\" or \"%s\"?", found->candidates[0],
                          found->candidates[1]);
    default:
        return error_hint(err, "did you mean \"%s\", \"%s\" or \"%s\"?", found->candidates[0],
                          found->candidates[1], found->candidates[2]);
    }
}

/*
 * A list in which the name was looked for; asked for again if it lacks the name and is not fresh. The
 * strings in *found live as long as *item (one reference).
 */
static Status list_search(const LookupContext *context, Catalog *catalog, const char *schema,
                          Str wanted, bool tables, CachedItem **item, Found *found, Error *err) {
    char kind = tables ? 'l' : 's';
    TRY(item_fetch(context, catalog, kind, schema, NULL, ttl_us(context, catalog), item, err));
    *found = found_in(&(*item)->names, wanted, tables);
    if (found->exact || found->folded || os_realtime_us() - (*item)->fetched_us < REFRESH_US)
        return TRIB_OK;
    item_release(*item);
    TRY(item_fetch(context, catalog, kind, schema, NULL, REFRESH_US, item, err));
    *found = found_in(&(*item)->names, wanted, tables);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- schemas */

static Status catalog_missing(const LookupContext *context, Str name, Error *err) {
    Found found = {0};
    uint32_t count = catalogs_count(context->catalogs);
    for (uint32_t i = 0; i < count; i++)
        found_look(&found, name, catalog_name(catalogs_at(context->catalogs, i)));
    (void)error_set(err, ERR_CATALOG_NAME, "there is no catalog \"" STR_FORMAT "\"",
                    STR_ARGS(name));
    if (found.ncandidates) return found_hint(&found, err);
    if (count == 1) return error_hint(err, "the configuration has no catalogs");
    Buf list;
    buf_init(&list, NULL, 300);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&list, "%s%s", i ? ", " : "", catalog_name(catalogs_at(context->catalogs, i)));
    Status status = error_hint(err, "there are %s", list.data ? list.data : "others");
    buf_clear(&list);
    return status;
}

/* The catalog that names without one belong to; NULL: none was chosen. */
static Status current_catalog(const LookupContext *context, Catalog **out, Error *err) {
    *out = NULL;
    if (context->catalog.len == 0) return TRIB_OK;
    TRY(catalogs_find(context->catalogs, context->catalog, out, err));
    return *out ? TRIB_OK : catalog_missing(context, context->catalog, err);
}

/* *out NULL: the catalog has no such schema. Names live in the arena. */
static Status schema_find(const LookupContext *context, Catalog *catalog, Str name, Arena *arena,
                          const char **out, Found *near_ones, Error *err) {
    CachedItem *item;
    Found found;
    *out = NULL;
    if (str_equal_fold(name, STR("information_schema"))) {
        *out = "information_schema";
        return TRIB_OK;
    }
    TRY(list_search(context, catalog, NULL, name, false, &item, &found, err));
    const char *spelled = found.exact ? found.exact : found.folded;
    Status status = TRIB_OK;
    if (!found.exact && found.other)
        status = found_ambiguous(&found, ERR_SCHEMA_NAME, "schema", name, err);
    else if (spelled) {
        *out = arena_strdup(arena, spelled);
        if (!*out) status = error_out_of_memory(err);
    }
    for (uint32_t i = 0; near_ones && status == TRIB_OK && i < found.ncandidates; i++) {
        near_ones->candidates[i] = arena_strdup(arena, found.candidates[i]);
        if (!near_ones->candidates[i]) status = error_out_of_memory(err);
        near_ones->ncandidates = i + 1;
    }
    item_release(item);
    return status;
}

static Status schema_missing(const Catalog *catalog, Str name, const Found *near_ones, Error *err) {
    (void)error_set(err, ERR_SCHEMA_NAME, "there is no schema \"" STR_FORMAT "\" in catalog %s",
                    STR_ARGS(name), catalog->name);
    return found_hint(near_ones, err);
}

/*
 * The schema of names that say only their catalog: the option, the only schema there is, or the one
 * that a memory catalog begins with. *out NULL: there is none; *several says so.
 */
static Status schema_default(const LookupContext *context, Catalog *catalog, Arena *arena,
                             const char **out, uint32_t *several, Error *err) {
    CachedItem *item;
    *out = catalog->common.default_schema;
    *several = 0;
    if (*out) return TRIB_OK;
    TRY(item_fetch(context, catalog, 's', NULL, NULL, ttl_us(context, catalog), &item, err));
    const char *only = item->names.count == 1 ? item->names.entries[0].schema : NULL;
    for (uint32_t i = 0; !only && i < item->names.count; i++) {
        if (!catalog->cache && strcmp(item->names.entries[i].schema, "default") == 0)
            only = "default";
    }
    *several = item->names.count;
    Status status = TRIB_OK;
    if (only) {
        *out = arena_strdup(arena, only);
        if (!*out) status = error_out_of_memory(err);
    }
    item_release(item);
    return status;
}

static Status schema_needed(const Catalog *catalog, uint32_t several, Error *err) {
    if (several == 0)
        return error_set(err, ERR_SCHEMA_NAME, "the catalog %s has no schemas", catalog->name);
    (void)error_set(err, ERR_SCHEMA_NAME,
                    "the catalog %s has %u schemas and none of them is its default", catalog->name,
                    several);
    return error_hint(err,
                      "write catalog.schema.table, or set the catalog's option default_schema");
}

/* The schema of names without one, in the current catalog. */
static Status current_schema(const LookupContext *context, Catalog *catalog, Arena *arena,
                             const char **out, Error *err) {
    uint32_t several;
    if (context->schema.len) {
        TRY_ALLOC(*out, str_dup(arena, context->schema), err);
        return TRIB_OK;
    }
    TRY(schema_default(context, catalog, arena, out, &several, err));
    return *out ? TRIB_OK : schema_needed(catalog, several, err);
}

static Status no_catalog(Str name, Error *err) {
    (void)error_set(err, ERR_CATALOG_NAME, "\"" STR_FORMAT "\" says no catalog, and none is chosen",
                    STR_ARGS(name));
    return error_hint(err, "write catalog.schema.table, or choose one with USE or Catalog=");
}

/* ---------------------------------------------------------------- tables by name */

/* Looks in one schema, whose name is spelled as the source does. *out NULL: not there. */
static Status table_in_schema(const LookupContext *context, Catalog *catalog, const char *schema,
                              Str name, Arena *arena, TableRef **out, Found *near_ones,
                              Error *err) {
    CachedItem *item;
    Found found;
    *out = NULL;
    TRY(list_search(context, catalog, schema, name, true, &item, &found, err));
    const char *spelled = found.exact ? found.exact : found.folded;
    Status status = TRIB_OK;
    if (!found.exact && found.other)
        status = found_ambiguous(&found, ERR_TABLE_NOT_FOUND, "table", name, err);
    else if (spelled)
        status = catalog_describe(context, catalog, schema, spelled, out, err);
    for (uint32_t i = 0; status == TRIB_OK && i < found.ncandidates; i++) {
        near_ones->candidates[i] = arena_strdup(arena, found.candidates[i]);
        if (!near_ones->candidates[i]) status = error_out_of_memory(err);
        near_ones->ncandidates = i + 1;
    }
    near_ones->nothing = item->names.count == 0;
    item_release(item);
    return status;
}

/* As written; *out NULL: the source does not know it so. */
static Status table_as_written(const LookupContext *context, Catalog *catalog, Str schema, Str name,
                               Arena *arena, TableRef **out, Error *err) {
    char *schema_text, *name_text;
    *out = NULL;
    if (schema.len == 0 || name.len == 0 || memchr(schema.data, '\0', schema.len) ||
        memchr(name.data, '\0', name.len))
        return TRIB_OK;
    TRY_ALLOC(schema_text, str_dup(arena, schema), err);
    TRY_ALLOC(name_text, str_dup(arena, name), err);
    Status status = catalog_describe(context, catalog, schema_text, name_text, out, err);
    return status == TRIB_NOT_FOUND ? TRIB_OK : status;
}

static Status table_missing(const Catalog *catalog, const char *schema, Str name,
                            const Found *near_ones, Error *err) {
    (void)error_set(err, ERR_TABLE_NOT_FOUND, "there is no table \"" STR_FORMAT "\" in %s.%s",
                    STR_ARGS(name), catalog->name, schema);
    if (near_ones->nothing) {
        return error_hint(err,
                          "the catalog shows no tables there at all: check what it is connected to "
                          "(region, database, path) and what its user may see");
    }
    return found_hint(near_ones, err);
}

static Status how_say(Arena *arena, const char **how, Error *err, const char *format, const char *a,
                      const char *b) {
    if (!how) return TRIB_OK;
    TRY_ALLOC(*how, arena_printf(arena, "%s%s%s%s", format, a, b ? ", schema " : "", b ? b : ""),
              err);
    return TRIB_OK;
}

/* The table of a catalog and schema that are both known, in any spelling. Not there: 3F000, 42S02. */
static Status table_of(const LookupContext *context, Catalog *catalog, Str schema, Str name,
                       Arena *arena, TableRef **out, Error *err) {
    const char *spelled;
    Found schemas = {0}, tables = {0};
    TRY(table_as_written(context, catalog, schema, name, arena, out, err));
    if (*out) return TRIB_OK;
    TRY(schema_find(context, catalog, schema, arena, &spelled, &schemas, err));
    if (!spelled) return schema_missing(catalog, schema, &schemas, err);
    TRY(table_in_schema(context, catalog, spelled, name, arena, out, &tables, err));
    return *out ? TRIB_OK : table_missing(catalog, spelled, name, &tables, err);
}

/* A view by the name of its schema, whatever catalog is current. *out NULL: there is none. */
static Status lookup_view(const LookupContext *context, Str schema, Str name, Arena *arena,
                          TableRef **out, const char **how, Error *err) {
    Catalog *views;
    *out = NULL;
    if (!str_equal_fold(schema, STR(VIEWS_SCHEMA))) return TRIB_OK;
    TRY(catalogs_find(context->catalogs, STR(VIEWS_CATALOG), &views, err));
    /* First: a table that was found is the caller's to let go. */
    TRY(how_say(arena, how, err, "catalog ", views->name, VIEWS_SCHEMA));
    return table_as_written(context, views, STR(VIEWS_SCHEMA), name, arena, out, err);
}

static Status lookup_one(const LookupContext *context, Str name, Arena *arena, TableRef **out,
                         const char **how, Error *err) {
    Catalog *catalog;
    const char *schema;
    TRY(current_catalog(context, &catalog, err));
    if (!catalog) {
        TRY(lookup_view(context, STR(VIEWS_SCHEMA), name, arena, out, how, err));
        return *out ? TRIB_OK : no_catalog(name, err);
    }
    TRY(current_schema(context, catalog, arena, &schema, err));
    TRY(how_say(arena, how, err, "current catalog ", catalog->name, schema));
    Status status = table_of(context, catalog, str_from(schema), name, arena, out, err);
    if (status != TRIB_NOT_FOUND || context->no_views) return status;
    Error other = {0};
    Status viewed = lookup_view(context, STR(VIEWS_SCHEMA), name, arena, out, how, &other);
    if (viewed == TRIB_OK && !*out) { /* what was said at first holds */
        error_clear(&other);
        return status;
    }
    error_clear(err);
    *err = other;
    return viewed;
}

static Status lookup_two(const LookupContext *context, const Str *parts, Arena *arena,
                         TableRef **out, const char **how, Error *err) {
    Catalog *current, *named;
    const char *schema = NULL;
    Found schemas = {0}, tables = {0};
    TRY(current_catalog(context, &current, err));
    if (current) {
        TRY(how_say(arena, how, err, "schema of current catalog ", current->name, NULL));
        TRY(table_as_written(context, current, parts[0], parts[1], arena, out, err));
        if (*out) return TRIB_OK;
        TRY(schema_find(context, current, parts[0], arena, &schema, &schemas, err));
        if (schema)
            TRY(table_in_schema(context, current, schema, parts[1], arena, out, &tables, err));
        if (*out) return TRIB_OK;
        if (schema) {
            TRY(lookup_view(context, parts[0], parts[1], arena, out, how, err));
            return *out ? TRIB_OK : table_missing(current, schema, parts[1], &tables, err);
        }
    }
    TRY(catalogs_find(context->catalogs, parts[0], &named, err));
    if (named) {
        uint32_t several;
        TRY(schema_default(context, named, arena, &schema, &several, err));
        if (!schema) return schema_needed(named, several, err);
        TRY(how_say(arena, how, err, "catalog ", named->name, schema));
        return table_of(context, named, str_from(schema), parts[1], arena, out, err);
    }
    TRY(lookup_view(context, parts[0], parts[1], arena, out, how, err));
    if (*out) return TRIB_OK;
    if (!current && str_equal_fold(parts[0], STR(VIEWS_SCHEMA)))
        return error_set(err, ERR_TABLE_NOT_FOUND,
                         "there is no view \"" STR_FORMAT "\" in " VIEWS_CATALOG "." VIEWS_SCHEMA,
                         STR_ARGS(parts[1]));
    if (!current) return catalog_missing(context, parts[0], err);
    (void)error_set(err, ERR_SCHEMA_NAME,
                    "\"" STR_FORMAT
                    "\" is neither a schema of the current catalog %s nor a catalog",
                    STR_ARGS(parts[0]), current->name);
    return found_hint(&schemas, err);
}

static Status lookup_three(const LookupContext *context, const Str *parts, Arena *arena,
                           TableRef **out, const char **how, Error *err) {
    Catalog *catalog;
    TRY(catalogs_find(context->catalogs, parts[0], &catalog, err));
    if (!catalog) return catalog_missing(context, parts[0], err);
    TRY(how_say(arena, how, err, "catalog ", catalog->name, NULL));
    return table_of(context, catalog, parts[1], parts[2], arena, out, err);
}

Status catalog_lookup_table(const LookupContext *context, uint32_t nparts, const Str *parts,
                            Arena *arena, TableRef **out, const char **how, Error *err) {
    *out = NULL;
    switch (nparts) {
    case 1: return lookup_one(context, parts[0], arena, out, how, err);
    case 2: return lookup_two(context, parts, arena, out, how, err);
    case 3: return lookup_three(context, parts, arena, out, how, err);
    default:
        return error_set(err, ERR_SYNTAX,
                         "a table's name has one to three parts: catalog.schema.table");
    }
}

/* ---------------------------------------------------------------- schemas by name */

static Status resolve_one(const LookupContext *context, Str name, Arena *arena, Catalog **catalog,
                          const char **schema, Error *err) {
    Catalog *current, *named;
    Found near_ones = {0};
    uint32_t several;
    TRY(current_catalog(context, &current, err));
    TRY(catalogs_find(context->catalogs, name, &named, err));
    if (current) {
        /* USE must lead away from a catalog that cannot be reached. */
        Status status = schema_find(context, current, name, arena, schema, &near_ones, err);
        if (status != TRIB_OK && (!named || status == TRIB_CANCELLED || status == TRIB_MEMORY))
            return status;
        *catalog = current;
        if (status == TRIB_OK && *schema) return TRIB_OK;
    }
    if (!named && str_equal_fold(name, STR(VIEWS_SCHEMA))) {
        *schema = VIEWS_SCHEMA;
        return catalogs_find(context->catalogs, STR(VIEWS_CATALOG), catalog, err);
    }
    if (!named && current) return schema_missing(current, name, &near_ones, err);
    if (!named) return catalog_missing(context, name, err);
    *catalog = named;
    return schema_default(context, named, arena, schema, &several, err);
}

Status catalog_resolve_schema(const LookupContext *context, uint32_t nparts, const Str *parts,
                              Arena *arena, Catalog **catalog, const char **schema, Error *err) {
    Found near_ones = {0};
    *catalog = NULL;
    *schema = NULL;
    if (nparts == 1) return resolve_one(context, parts[0], arena, catalog, schema, err);
    if (nparts == 0) {
        TRY(current_catalog(context, catalog, err));
        if (!*catalog) return no_catalog(STR("the name"), err);
        return current_schema(context, *catalog, arena, schema, err);
    }
    if (nparts != 2)
        return error_set(err, ERR_SYNTAX, "a schema's name has one or two parts: catalog.schema");
    TRY(catalogs_find(context->catalogs, parts[0], catalog, err));
    if (!*catalog) return catalog_missing(context, parts[0], err);
    TRY(schema_find(context, *catalog, parts[1], arena, schema, &near_ones, err));
    return *schema ? TRIB_OK : schema_missing(*catalog, parts[1], &near_ones, err);
}
