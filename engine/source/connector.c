/*
 * connector.c - finding and loading connectors.
 *
 * A connector is trib_<type>.so, looked for in the folders of the setting ConnectorPath and in those of
 * engine/base/module.h. A connector is loaded once and never unloaded (RTLD_NODELETE): its threads may
 * outlive every session.
 *
 * Loading is guarded by one mutex; connectors that were found are kept in a list that only grows.
 */
#include "config.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/stat.h>

#include "engine/base/log.h"
#include "engine/base/module.h"
#include "engine/source/internal.h"

#define MAX_TYPE 64
#define PREFIX   "trib_"
#define SUFFIX   ".so"

typedef struct Loaded Loaded;
struct Loaded {
    Loaded *next;
    char *type;
    const TribConnector *connector;
};

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t load_stamp;
static Loaded *loaded;

/* ---------------------------------------------------------------- listing */

/* "mysql" out of "trib_mysql.so"; len 0: not a connector's name. */
static Str type_of_file(const char *name) {
    Str file = str_from(name), prefix = STR(PREFIX), suffix = STR(SUFFIX);
    if (file.len <= prefix.len + suffix.len || memcmp(file.data, PREFIX, prefix.len) != 0 ||
        memcmp(file.data + file.len - suffix.len, SUFFIX, suffix.len) != 0)
        return (Str){"", 0};
    return (Str){file.data + prefix.len, file.len - prefix.len - suffix.len};
}

typedef struct TypeList {
    Arena *arena;
    uint32_t count, capacity;
    const char **types;
} TypeList;

static Status types_add(TypeList *self, Str type, Error *err) {
    uint32_t at = 0;
    while (at < self->count && str_compare(str_from(self->types[at]), type) < 0) at++;
    if (at < self->count && str_equal(str_from(self->types[at]), type)) return TRIB_OK;
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        const char **grown;
        TRY_ALLOC(grown, ARENA_ARRAY(self->arena, const char *, capacity), err);
        if (self->count) memcpy(grown, self->types, self->count * sizeof *grown);
        self->types = grown;
        self->capacity = capacity;
    }
    char *copy;
    TRY_ALLOC(copy, str_dup(self->arena, type), err);
    memmove(&self->types[at + 1], &self->types[at], (self->count - at) * sizeof *self->types);
    self->types[at] = copy;
    self->count++;
    return TRIB_OK;
}

static Status types_of_folder(TypeList *self, const char *path, Error *err) {
    DIR *folder = opendir(path);
    if (!folder) return TRIB_OK; /* most of the places do not exist */
    Status status = TRIB_OK;
    struct dirent *entry;
    while (status == TRIB_OK && (entry = readdir(folder)) != NULL) {
        Str type = type_of_file(entry->d_name);
        if (type.len) status = types_add(self, type, err);
    }
    closedir(folder);
    return status;
}

Status connector_list(Arena *arena, Str connector_path, uint32_t *count, const char ***types,
                      Error *err) {
    ModuleFolders folders;
    TypeList list = {.arena = arena};
    TRY(module_folders(&folders, arena, connector_path, err));
    for (uint32_t i = 0; i < folders.count; i++) TRY(types_of_folder(&list, folders.path[i], err));
    *count = list.count;
    *types = list.types;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- loading */

static Status type_unknown(Arena *arena, Str type, Str connector_path, Error *err) {
    uint32_t count, best_distance = 3;
    const char **types, *best = NULL;
    TRY(connector_list(arena, connector_path, &count, &types, err));
    Buf names;
    buf_init(&names, arena, sizeof err->hint);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&names, "%s%s", i ? ", " : "", types[i]);
        uint32_t distance = str_distance(type, str_from(types[i]), best_distance);
        if (distance < best_distance) {
            best_distance = distance;
            best = types[i];
        }
    }
    (void)error_set(err, ERR_CONFIGURATION, "there is no connector of type \"" STR_FORMAT "\"",
                    STR_ARGS(type));
    if (count == 0)
        return error_hint(
            err,
            "no connector was found: set ConnectorPath or $TRIBUTARY_CONNECTORS to their folder");
    if (best)
        return error_hint(err, "did you mean \"%s\"? Available: %s", best, buf_view(&names).data);
    return error_hint(err, "available: %s", buf_view(&names).data);
}

/* Reads only members that both sides know. */
static Status connector_check(const TribConnector *connector, const char *file, const char *type,
                              Error *err) {
    if (!connector || connector->abi_version != TRIB_ABI_VERSION)
        return error_set(err, ERR_CONFIGURATION,
                         "the connector %s speaks version %u of the interface, not %u", file,
                         connector ? connector->abi_version : 0, TRIB_ABI_VERSION);
    size_t required = offsetof(TribConnector, write_open);
    if (connector->struct_size < required)
        return error_set(err, ERR_CONFIGURATION,
                         "the connector %s is too old for this version of Tributary", file);
    if (!connector->type || strcmp(connector->type, type) != 0)
        return error_set(err, ERR_CONFIGURATION, "the connector %s is of type \"%s\"", file,
                         connector->type ? connector->type : "");
    if (!connector->open || !connector->close || !connector->check || !connector->list_schemas ||
        !connector->list_tables || !connector->describe_table || !connector->plan ||
        !connector->plan_retain || !connector->plan_release || !connector->splits ||
        !connector->scan_open || !connector->scan_next || !connector->scan_cancel ||
        !connector->scan_stats || !connector->scan_release || !connector->options)
        return error_set(err, ERR_CONFIGURATION, "the connector %s lacks a required function",
                         file);
    return TRIB_OK;
}

/* A connector built against an older header: what it does not know is not offered. */
static Status connector_complete(const TribConnector *connector, const TribConnector **out,
                                 Error *err) {
    if (connector->struct_size >= sizeof(TribConnector)) {
        *out = connector;
        return TRIB_OK;
    }
    TribConnector *whole;
    TRY_ALLOC(whole, heap_alloc(sizeof *whole), err);
    memcpy(whole, connector, connector->struct_size);
    whole->struct_size = sizeof *whole;
    *out = whole;
    return TRIB_OK;
}

static Status file_load(const char *file, const char *type, const TribConnector **out, Error *err) {
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object) {
        const char *why = dlerror();
        (void)error_set(err, ERR_CONFIGURATION, "the connector \"%s\" cannot be loaded", type);
        (void)error_detail(err, "%s", why ? why : file);
        return error_hint(err, "is the client library that it needs installed?");
    }
    void *symbol = dlsym(object, "trib_connector");
    TribConnectorEntry entry;
    memcpy(&entry, &symbol,
           sizeof entry); /* ISO C knows no cast from object to function pointers */
    if (!entry)
        return error_set(err, ERR_CONFIGURATION, "%s is not a connector: it has no trib_connector",
                         file);
    const TribConnector *connector = entry();
    TRY(connector_check(connector, file, type, err));
    TRY(connector_complete(connector, out, err));
    log_write(LOG_INFO, "", "loaded the connector %s", file);
    return TRIB_OK;
}

static bool type_valid(Str type) {
    if (type.len == 0 || type.len > MAX_TYPE) return false;
    for (size_t i = 0; i < type.len; i++) {
        char c = type.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

/* Under the lock. */
static Status type_load(Arena *arena, Str type, Str connector_path, const TribConnector **out,
                        Error *err) {
    for (Loaded *at = loaded; at; at = at->next) {
        if (!str_equal(str_from(at->type), type)) continue;
        *out = at->connector;
        return TRIB_OK;
    }
    if (!type_valid(type)) return type_unknown(arena, type, connector_path, err);
    ModuleFolders folders;
    TRY(module_folders(&folders, arena, connector_path, err));
    for (uint32_t i = 0; i < folders.count; i++) {
        char *file;
        struct stat facts;
        TRY_ALLOC(
            file,
            arena_printf(arena, "%s/" PREFIX STR_FORMAT SUFFIX, folders.path[i], STR_ARGS(type)),
            err);
        if (stat(file, &facts) != 0) continue;
        Loaded *entry;
        TRY_ALLOC(entry, heap_alloc(sizeof *entry + type.len + 1), err);
        entry->type = (char *)(entry + 1);
        memcpy(entry->type, type.data, type.len);
        Status status = file_load(file, entry->type, &entry->connector, err);
        if (status != TRIB_OK) {
            heap_free(entry);
            return status;
        }
        entry->next = loaded;
        loaded = entry;
        *out = entry->connector;
        return TRIB_OK;
    }
    return type_unknown(arena, type, connector_path, err);
}

Status connector_load(Str type, Str connector_path, const TribConnector **out, Error *err) {
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    (void)os_lock_forked(&load_lock, &load_stamp); /* connectors stay loaded in a child */
    Status status = type_load(arena, type, connector_path, out, err);
    pthread_mutex_unlock(&load_lock);
    arena_free(arena);
    return status;
}
