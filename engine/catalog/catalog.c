/*
 * catalog.c - the catalogs of a session: opened at first use.
 *
 * A CatalogSet is made when a connection opens and touches nothing but memory: no connector is loaded,
 * no file read, so that ten configured catalogs cost microseconds. catalog_source loads the connector,
 * checks the options against its table, resolves secrets and finds or opens the shared Source.
 *
 * The script of a memory catalog runs once per process and catalog (name and text of the script), by
 * the session that uses it first; other sessions wait for it. While it runs, statements of its own
 * session see the catalog as it is.
 *
 * Threads: a set may be used by any number of threads; each catalog has a mutex, which is not held
 * while a script runs.
 */
#include "engine/base/module.h"
#include "engine/base/map.h"
#include "engine/catalog/information_schema.h"
#include "engine/catalog/internal.h"
#include "engine/catalog/views.h"

static _Atomic CatalogScriptHook script_hook;

void catalog_set_script_hook(CatalogScriptHook hook) {
    atomic_store(&script_hook, hook);
}

/* ---------------------------------------------------------------- sets */

static Status catalog_init(CatalogSet *set, Catalog *self, const ConfigCatalog *config,
                           Error *err) {
    self->set = set;
    self->config = config;
    TRY_ALLOC(self->name, str_dup(set->arena, config->name), err);
    TRY_ALLOC(self->type, str_dup(set->arena, config->type), err);
    pthread_mutex_init(&self->lock, NULL);
    set->count++;
    /* References to secrets are for options that only the connector needs, and it is not there yet. */
    return options_common(set->config, set->arena, config, &self->common, err);
}

/* Built in, behind the configured ones. */
static void catalog_of_views(CatalogSet *set, Catalog *self) {
    self->set = set;
    self->name = self->type = VIEWS_CATALOG;
    self->common = (CommonOptions){.metadata_ttl = 0, .default_schema = VIEWS_SCHEMA};
    pthread_mutex_init(&self->lock, NULL);
    set->count++;
}

static Status set_fill(CatalogSet *self, Str connector_path, Str metastore, Error *err) {
    char *path, *store;
    TRY_ALLOC(path, str_dup(self->arena, connector_path), err);
    TRY_ALLOC(store, str_dup(self->arena, metastore), err);
    self->connector_path = (Str){path, connector_path.len};
    TRY(module_search(self->connector_path, err));
    self->metastore_path = (Str){store, metastore.len};
    uint32_t count = config_catalog_count(self->config);
    TRY_ALLOC(self->catalogs, ARENA_ARRAY(self->arena, Catalog, count + 1), err);
    for (uint32_t i = 0; i < count; i++)
        TRY(catalog_init(self, &self->catalogs[i], config_catalog(self->config, i), err));
    catalog_of_views(self, &self->catalogs[count]);
    return TRIB_OK;
}

Status catalogs_new(Config *config, Str connector_path, Str metastore, CatalogSet **out,
                    Error *err) {
    CatalogSet *self;
    catalogs_guard_fork();
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    pthread_mutex_init(&self->lock, NULL);
    self->config = config;
    config_retain(config);
    self->arena = arena_new(NULL);
    Status status =
        self->arena ? set_fill(self, connector_path, metastore, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        catalogs_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static void info_free(Catalog *info) {
    if (!info) return;
    source_release(info->source);
    pthread_mutex_destroy(&info->lock);
    heap_free(info);
}

void catalogs_release(CatalogSet *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->count; i++) {
        info_free(self->catalogs[i].info);
        source_release(self->catalogs[i].source);
        cache_release(self->catalogs[i].cache);
        pthread_mutex_destroy(&self->catalogs[i].lock);
    }
    metastore_release(self->metastore);
    config_release(self->config);
    pthread_mutex_destroy(&self->lock);
    arena_free(self->arena);
    heap_free(self);
}

uint32_t catalogs_count(const CatalogSet *self) {
    return self->count;
}

Catalog *catalogs_at(const CatalogSet *self, uint32_t index) {
    return &self->catalogs[index];
}

Status catalogs_find(const CatalogSet *self, Str name, Catalog **out, Error *err) {
    Catalog *folded = NULL, *other = NULL;
    *out = NULL;
    for (uint32_t i = 0; i < self->count; i++) {
        Catalog *catalog = &self->catalogs[i];
        if (str_equal(str_from(catalog->name), name)) {
            *out = catalog;
            return TRIB_OK;
        }
        if (!str_equal_fold(str_from(catalog->name), name)) continue;
        if (folded)
            other = catalog;
        else
            folded = catalog;
    }
    if (other) {
        (void)error_set(err, ERR_CATALOG_NAME, "the catalog name \"" STR_FORMAT "\" is ambiguous",
                        STR_ARGS(name));
        return error_hint(err, "there are \"%s\" and \"%s\"", folded->name, other->name);
    }
    *out = folded;
    return TRIB_OK;
}

Metastore *catalogs_metastore(CatalogSet *self, const char **warning) {
    const char *why = NULL;
    pthread_mutex_lock(&self->lock);
    if (!self->metastore_tried) {
        self->metastore_tried = true;
        self->metastore = metastore_open(self->metastore_path, &why);
        if (why) self->metastore_warning = arena_strdup(self->arena, why);
    }
    if (warning) {
        *warning = self->metastore_warning;
        self->metastore_warning = NULL;
    }
    Metastore *store = self->metastore;
    pthread_mutex_unlock(&self->lock);
    return store;
}

/* ---------------------------------------------------------------- opening */

const char *catalog_name(const Catalog *self) {
    return self->name;
}

const char *catalog_type(const Catalog *self) {
    return self->type;
}

const char *catalog_comment(const Catalog *self) {
    return self->common.comment;
}

const char *catalog_default_schema(const Catalog *self) {
    return self->common.default_schema;
}

bool catalog_hides(const Catalog *self, const char *schema, const char *table) {
    if (self->common.nhide == 0) return false;
    Buf whole;
    buf_init(&whole, NULL, 4096);
    buf_printf(&whole, "%s.%s", schema ? schema : "", table);
    bool hidden = false;
    for (uint32_t i = 0; i < self->common.nhide && !hidden; i++) {
        Str pattern = self->common.hide[i];
        bool with_schema = pattern.len && memchr(pattern.data, '.', pattern.len);
        hidden = pattern_matches(pattern, with_schema ? buf_view(&whole) : str_from(table));
    }
    buf_clear(&whole);
    return hidden;
}

/* 128 bits of a text, in hexadecimal. */
static Status digest(Arena *arena, const char *prefix, Str text, uint64_t seed, Str *out,
                     Error *err) {
    uint64_t high = hash_bytes(text.data, text.len, seed),
             low = hash_bytes(text.data, text.len, ~seed);
    char *hex;
    TRY_ALLOC(hex,
              arena_printf(arena, "%s:%016llx%016llx", prefix, (unsigned long long)high,
                           (unsigned long long)low),
              err);
    *out = str_from(hex);
    return TRIB_OK;
}

/*
 * Everything that makes two catalogs the same source: name, type, all options with their resolved
 * values. Hashed with the process's seed, since passwords are among them.
 */
static Status fingerprint_of(const Catalog *self, Arena *arena, const CatalogOptions *options,
                             Str *out, Error *err) {
    Buf text;
    buf_init(&text, arena, (size_t)64 << 20);
    buf_printf(&text, "%s%c%u%c%.17g%c", self->name, 0, options->common.max_connections, 0,
               options->common.max_requests_per_second, 0);
    for (uint32_t i = 0; i < options->noptions; i++) {
        buf_text(&text, options->options[i].name);
        buf_char(&text, '\0');
        buf_text(&text, options->options[i].value);
        buf_char(&text, '\0');
    }
    TRY(buf_status(&text, err));
    return digest(arena, self->type, buf_view(&text), hash_seed(), out, err);
}

static Status source_make(Catalog *self, Arena *arena, Error *err) {
    if (!self->config) return views_source(self->set, self->name, &self->source, err);
    const TribConnector *connector;
    CatalogOptions options;
    Str fingerprint, identity;
    const Config *config = self->set->config;
    Status status = connector_load(self->config->type, self->set->connector_path, &connector, err);
    if (status == TRIB_INVALID && !err->line) {
        Error why = *err;
        status = config_error(config, self->config->type_line, self->config->type_column, err, "%s",
                              why.message);
        (void)error_detail(err, "%s", why.detail);
        (void)error_hint(err, "%s", why.hint);
    }
    TRY(status);
    TRY(options_check(config, arena, self->config, connector->options, &options, err));
    if (self->common.script && !(connector->flags & TRIB_PROCESS_STATE)) {
        (void)config_error(config, self->common.script->line, self->common.script->column, err,
                           "catalogs of type %s take no \"script\"", self->type);
        return error_hint(err, "scripts fill catalogs of type memory");
    }
    TRY(fingerprint_of(self, arena, &options, &fingerprint, err));
    TRY(digest(arena, self->type, options.identity, 0, &identity, err));
    SourceParams params = {.connector = connector,
                           .name = self->name,
                           .options = options.options,
                           .noptions = options.noptions,
                           .max_connections = options.common.max_connections,
                           .max_requests_per_second = options.common.max_requests_per_second,
                           .fingerprint = fingerprint};
    TRY(source_open(&params, &self->source, err));
    if (connector->flags & TRIB_PROCESS_STATE) return TRIB_OK;
    if (!self->cache) self->cache = cache_open(identity);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scripts */

typedef struct Script Script;
struct Script {
    Script *next;
    uint64_t hash[2]; /* of catalog and text */
    bool running, done;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    Script *scripts; /* lives as long as the process, as the tables do */
} scripts = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

/* Waits until nobody runs the script; NULL: it ran already, or (*status) memory is exhausted. */
static Script *script_claim(const Catalog *self, Str text, Status *status, Error *err) {
    uint64_t seed = hash_bytes(self->name, strlen(self->name), 1);
    uint64_t hash[2] = {hash_bytes(text.data, text.len, seed),
                        hash_bytes(text.data, text.len, ~seed)};
    pthread_mutex_lock(&scripts.lock);
    Script *script = scripts.scripts;
    while (script && (script->hash[0] != hash[0] || script->hash[1] != hash[1]))
        script = script->next;
    if (!script && (script = heap_alloc(sizeof *script)) != NULL) {
        memcpy(script->hash, hash, sizeof hash);
        script->next = scripts.scripts;
        scripts.scripts = script;
    }
    while (script && script->running) pthread_cond_wait(&scripts.ended, &scripts.lock);
    *status = script ? TRIB_OK : error_out_of_memory(err);
    if (script && script->done) script = NULL;
    if (script) script->running = true;
    pthread_mutex_unlock(&scripts.lock);
    return script;
}

static void script_end(Script *script, bool done) {
    pthread_mutex_lock(&scripts.lock);
    script->running = false;
    script->done = done;
    pthread_cond_broadcast(&scripts.ended);
    pthread_mutex_unlock(&scripts.lock);
}

static Status script_hand_over(Catalog *self, Arena *arena, CatalogScriptHook hook, Error *err) {
    Str text;
    Status status;
    TRY(options_script(self->set->config, arena, self->config, self->common.script, &text, err));
    Script *script = script_claim(self, text, &status, err);
    if (!script) return status;
    status = hook(self->set, self, text, err);
    script_end(script, status == TRIB_OK);
    if (status == TRIB_OK) return TRIB_OK;
    if (!err->detail[0]) {
        char place[64] = "";
        if (err->line)
            (void)text_format(place, sizeof place, ", line %u, column %u of it", err->line,
                              err->column);
        (void)error_detail(err, "in the script of catalog %s%s", self->name, place);
    }
    err->line = err->column = 0; /* not of the user's statement */
    return status;
}

/* Called and returns with the catalog's lock; gives it up while the script runs. */
static Status script_run(Catalog *self, Error *err) {
    CatalogScriptHook hook = atomic_load(&script_hook);
    if (!hook)
        return error_set(err, ERR_UNSUPPORTED, "the script of catalog %s cannot be run here",
                         self->name);
    self->script_running = true;
    pthread_mutex_unlock(&self->lock);
    Arena *arena = arena_new(NULL);
    Status status = arena ? script_hand_over(self, arena, hook, err) : error_out_of_memory(err);
    arena_free(arena);
    pthread_mutex_lock(&self->lock);
    self->script_running = false;
    self->script_done = status == TRIB_OK;
    return status;
}

Status catalog_source(Catalog *self, Source **out, Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    if (!self->source) {
        Arena *arena = arena_new(NULL);
        status = arena ? source_make(self, arena, err) : error_out_of_memory(err);
        arena_free(arena);
    }
    if (status == TRIB_OK && self->common.script && !self->script_done && !self->script_running)
        status = script_run(self, err);
    *out = self->source;
    pthread_mutex_unlock(&self->lock);
    if (status != TRIB_OK) (void)error_source(err, self->name);
    return status;
}

static Status info_make(Catalog *self, Error *err) {
    Catalog *info;
    TRY_ALLOC(info, heap_alloc(sizeof *info), err);
    info->set = self->set;
    info->config = self->config;
    info->name = self->name;
    info->type = INFORMATION_SCHEMA;
    info->common.metadata_ttl = 0;
    pthread_mutex_init(&info->lock, NULL);
    Status status = information_schema_source(self->set, self, &info->source, err);
    if (status != TRIB_OK) {
        info->source = NULL;
        info_free(info);
        return status;
    }
    self->info = info;
    return TRIB_OK;
}

Status catalog_info(Catalog *self, Catalog **out, Error *err) {
    Status status = TRIB_OK;
    pthread_mutex_lock(&self->lock);
    if (!self->info) status = info_make(self, err);
    *out = self->info;
    pthread_mutex_unlock(&self->lock);
    return status;
}
