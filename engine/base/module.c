/*
 * module.c - finding and loading shared objects at first use.
 *
 * Modules that were loaded are kept in a list that only grows, guarded by one mutex. They are never
 * unloaded (RTLD_NODELETE), so that the pointers into them stay good.
 */
#include "engine/base/module.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/base/os.h"

#define SEARCH_MAX ((size_t)64 << 10)

typedef struct Module Module;
struct Module {
    Module *next;
    const char *name; /* the caller's, a literal */
    const void *table;
};

static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t load_stamp;
static Module *loaded;
static Buf search_path; /* on the heap, for ever */

/* ---------------------------------------------------------------- folders */

static Status folders_add(ModuleFolders *self, char *path, Error *err) {
    if (!path) return error_out_of_memory(err);
    for (uint32_t i = 0; i < self->count; i++) {
        if (strcmp(self->path[i], path) == 0) return TRIB_OK;
    }
    if (self->count < MODULE_FOLDERS) self->path[self->count++] = path;
    return TRIB_OK;
}

static Status folders_add_list(ModuleFolders *self, Str list, Error *err) {
    while (list.len > 0) {
        const char *colon = memchr(list.data, ':', list.len);
        Str one = {list.data, colon ? (size_t)(colon - list.data) : list.len};
        if (one.len > 0) TRY(folders_add(self, str_dup(self->arena, one), err));
        size_t step = one.len + (colon ? 1 : 0);
        list = (Str){list.data + step, list.len - step};
    }
    return TRIB_OK;
}

/* The folder of the file that this code was loaded from: the driver, or a program. */
static Status folders_add_own(ModuleFolders *self, Error *err) {
    Dl_info info;
    if (!dladdr((void *)(uintptr_t)&module_folders, &info) || !info.dli_fname) return TRIB_OK;
    char real[PATH_MAX];
    const char *file = realpath(info.dli_fname, real) ? real : info.dli_fname;
    const char *slash = strrchr(file, '/');
    Str folder = slash ? (Str){file, (size_t)(slash - file)} : STR(".");
    /* installed beside the driver, from lib/odbc, from bin; in a build tree */
    static const char *const places[] = {"/tributary", "/../tributary", "/../lib/tributary", "",
                                         "/.libs"};
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        TRY(folders_add(
            self, arena_printf(self->arena, STR_FORMAT "%s", STR_ARGS(folder), places[i]), err));
    }
    return TRIB_OK;
}

Status module_folders(ModuleFolders *self, Arena *arena, Str path, Error *err) {
    *self = (ModuleFolders){.arena = arena};
    TRY(folders_add_list(self, path, err));
    const char *variable = os_env("TRIBUTARY_CONNECTORS");
    if (variable) TRY(folders_add_list(self, str_from(variable), err));
    TRY(folders_add_own(self, err));
    return folders_add(self, arena_strdup(arena, TRIB_CONNECTOR_DIR), err);
}

/* ---------------------------------------------------------------- loading */

static Status file_load(const char *file, const char *name, const char *package, const void **out,
                        Error *err) {
    void *object = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const char *why = object ? NULL : dlerror();
    void *symbol = object ? dlsym(object, "trib_module") : NULL;
    const void *(*entry)(void) = NULL;
    memcpy(&entry, &symbol,
           sizeof entry); /* ISO C knows no cast from object to function pointers */
    if (entry) {
        *out = entry();
        log_write(LOG_INFO, "", "loaded the module %s", file);
        return TRIB_OK;
    }
    (void)error_set(err, ERR_CONFIGURATION, "the module \"%s\" cannot be loaded", name);
    (void)error_detail(err, "%s", why ? why : file);
    return error_hint(err, "is %s installed?", package);
}

/* Under the lock. */
static Status find_and_load(Arena *arena, const char *name, const char *package, const void **out,
                            Error *err) {
    ModuleFolders folders;
    TRY(module_folders(&folders, arena, buf_view(&search_path), err));
    for (uint32_t i = 0; i < folders.count; i++) {
        char *file;
        TRY_ALLOC(file, arena_printf(arena, "%s/tributary_%s.so", folders.path[i], name), err);
        if (access(file, R_OK) == 0) return file_load(file, name, package, out, err);
    }
    (void)error_set(err, ERR_CONFIGURATION, "the module tributary_%s.so was not found", name);
    return error_hint(err,
                      "it is built where %s is installed, and looked for beside the driver and in "
                      "$TRIBUTARY_CONNECTORS",
                      package);
}

static Status module_get(const char *name, const char *package, const void **out, Error *err) {
    for (const Module *at = loaded; at; at = at->next) {
        if (strcmp(at->name, name) != 0) continue;
        *out = at->table;
        return TRIB_OK;
    }
    Arena *arena;
    Module *module;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = find_and_load(arena, name, package, out, err);
    arena_free(arena);
    if (status != TRIB_OK) return status;
    TRY_ALLOC(module, heap_alloc(sizeof *module), err);
    *module = (Module){.next = loaded, .name = name, .table = *out};
    loaded = module;
    return TRIB_OK;
}

/* Is the list among those that were added? */
static bool search_path_has(Str path) {
    Str rest = buf_view(&search_path);
    while (rest.len >= path.len && rest.len > 0) {
        const char *found = memmem(rest.data, rest.len, path.data, path.len);
        if (found == NULL) return false;
        const char *end = found + path.len, *last = rest.data + rest.len;
        if ((found == search_path.data || found[-1] == ':') && (end == last || *end == ':')) {
            return true;
        }
        rest = (Str){found + 1, (size_t)(last - found) - 1};
    }
    return false;
}

Status module_search(Str path, Error *err) {
    Status status = TRIB_OK;
    if (path.len == 0) return TRIB_OK;
    (void)os_lock_forked(&load_lock, &load_stamp);
    if (search_path.max == 0) buf_init(&search_path, NULL, SEARCH_MAX);
    if (search_path.len + path.len < SEARCH_MAX && !search_path_has(path)) {
        if (search_path.len > 0) buf_char(&search_path, ':');
        buf_str(&search_path, path);
        status = buf_status(&search_path, err);
    }
    pthread_mutex_unlock(&load_lock);
    return status;
}

Status module_load(const char *name, const char *package, const void **out, Error *err) {
    (void)os_lock_forked(&load_lock, &load_stamp); /* modules stay loaded in a child */
    Status status = module_get(name, package, out, err);
    pthread_mutex_unlock(&load_lock);
    return status;
}
