/*
 * config.c - the configuration file: finding, reading, checking its shape.
 *
 *   { "settings": { "threads": 4 }, "catalogs": { "shop": { "type": "mysql", "host": "db" } } }
 *
 * JSON with comments and trailing commas. The shape is checked when it is read: an unknown key, a value
 * of the wrong kind, a catalog without a type are errors that name file, line and column. What an
 * option means is checked when its catalog is opened, since only then is its connector loaded.
 *
 * A Config never changes. The last files read are kept for the process and used again while device,
 * inode, size and times stay the same, so that opening a connection costs a stat.
 */
#include "config.h"

#include <errno.h>
#include <sys/stat.h>

#include "engine/catalog/internal.h"
#include "engine/catalog/views.h"

#define MAX_FILE    ((size_t)16 << 20)
#define MAX_NAME    128
#define CACHED_MOST 8

typedef struct ConfigSetting {
    Str name, value;
    uint32_t line, column;
} ConfigSetting;

struct Config {
    _Atomic uint32_t references;
    Arena *arena;
    const char *path;
    uint32_t nsettings, ncatalogs, nwarnings;
    ConfigSetting *settings;
    ConfigCatalog *catalogs;
    const char *warnings[2];
};

/* ---------------------------------------------------------------- messages */

Status config_error(const Config *self, uint32_t line, uint32_t column, Error *err,
                    const char *format, ...) {
    char what[768];
    va_list arguments;
    va_start(arguments, format);
    (void)text_vformat(what, sizeof what, format, arguments);
    va_end(arguments);
    const char *place = self->path[0] ? self->path : "text";
    if (line == 0) return error_set(err, ERR_CONFIGURATION, "configuration %s: %s", place, what);
    return error_set_at(err, ERR_CONFIGURATION, line, column,
                        "configuration %s, line %u, column %u: %s", place, line, column, what);
}

Status config_suggest(Error *err, Str given, uint32_t count, const char *const *names) {
    const char *best = NULL;
    uint32_t nearest = given.len < 4 ? 2 : 4; /* candidates must be nearer */
    Buf list;
    buf_init(&list, NULL, sizeof err->hint);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t distance = str_distance(given, str_from(names[i]), nearest);
        if (distance < nearest) {
            nearest = distance;
            best = names[i];
        }
        if (list.len + strlen(names[i]) + 80 < sizeof err->hint)
            buf_printf(&list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *valid = list.data ? list.data : "none";
    Status status = best ? error_hint(err, "did you mean \"%s\"? Valid: %s", best, valid)
                         : error_hint(err, "valid: %s", valid);
    buf_clear(&list);
    return status;
}

static const char *kind_name(JsonToken kind) {
    switch (kind) {
    case JSON_OBJECT_BEGIN: return "an object";
    case JSON_ARRAY_BEGIN: return "a list";
    case JSON_STRING: return "a text";
    case JSON_NUMBER: return "a number";
    case JSON_NULL: return "null";
    default: return "true or false";
    }
}

static Status wrong_kind(const Config *self, const JsonValue *value, const char *wanted,
                         Error *err) {
    return config_error(self, value->line, value->column, err,
                        "\"" STR_FORMAT "\" must be %s, not %s", STR_ARGS(value->key), wanted,
                        kind_name(value->kind));
}

/* ---------------------------------------------------------------- shape */

static uint32_t members_count(const JsonValue *object) {
    uint32_t count = 0;
    for (const JsonValue *member = object->first; member; member = member->next) count++;
    return count;
}

static Status settings_read(Config *self, const JsonValue *object, Error *err) {
    if (object->kind != JSON_OBJECT_BEGIN)
        return wrong_kind(self, object, "an object of settings", err);
    TRY_ALLOC(self->settings, ARENA_ARRAY(self->arena, ConfigSetting, members_count(object)), err);
    for (const JsonValue *member = object->first; member; member = member->next) {
        ConfigSetting *setting = &self->settings[self->nsettings];
        *setting =
            (ConfigSetting){.name = member->key, .line = member->line, .column = member->column};
        switch (member->kind) {
        case JSON_STRING:
        case JSON_NUMBER: setting->value = member->text; break;
        case JSON_TRUE: setting->value = STR("true"); break;
        case JSON_FALSE: setting->value = STR("false"); break;
        default: return wrong_kind(self, member, "a text, a number, true or false", err);
        }
        self->nsettings++;
    }
    return TRIB_OK;
}

static Status name_check(const Config *self, const JsonValue *member, Error *err) {
    Str name = member->key;
    if (name.len == 0 || name.len > MAX_NAME || memchr(name.data, '\0', name.len))
        return config_error(self, member->key_line, member->key_column, err,
                            "the name of a catalog has 1 to %d bytes, none of them zero", MAX_NAME);
    return TRIB_OK;
}

static Status catalog_read(Config *self, const JsonValue *member, ConfigCatalog *out, Error *err) {
    TRY(name_check(self, member, err));
    if (str_equal_fold(member->key, STR(VIEWS_CATALOG)))
        return config_error(self, member->key_line, member->key_column, err,
                            "the name \"" VIEWS_CATALOG "\" belongs to the catalog of views");
    if (member->kind != JSON_OBJECT_BEGIN)
        return wrong_kind(self, member, "an object with a \"type\"", err);
    const JsonValue *type = json_member(member, STR("type"));
    if (!type) {
        (void)config_error(self, member->key_line, member->key_column, err,
                           "the catalog \"" STR_FORMAT "\" has no \"type\"", STR_ARGS(member->key));
        return error_hint(err, "add for example \"type\": \"mysql\"");
    }
    if (type->kind != JSON_STRING || type->text.len == 0)
        return wrong_kind(self, type, "the name of a connector", err);
    *out = (ConfigCatalog){.name = member->key,
                           .type = type->text,
                           .line = member->key_line,
                           .column = member->key_column,
                           .type_line = type->line,
                           .type_column = type->column,
                           .members = member};
    return TRIB_OK;
}

static Status catalogs_read(Config *self, const JsonValue *object, Error *err) {
    if (object->kind != JSON_OBJECT_BEGIN)
        return wrong_kind(self, object, "an object of catalogs", err);
    TRY_ALLOC(self->catalogs, ARENA_ARRAY(self->arena, ConfigCatalog, members_count(object)), err);
    for (const JsonValue *member = object->first; member; member = member->next)
        TRY(catalog_read(self, member, &self->catalogs[self->ncatalogs++], err));
    return TRIB_OK;
}

static Status root_read(Config *self, const JsonValue *root, Error *err) {
    static const char *const keys[] = {"settings", "catalogs"};
    if (root->kind != JSON_OBJECT_BEGIN)
        return config_error(self, root->line, root->column, err, "an object is expected, not %s",
                            kind_name(root->kind));
    for (const JsonValue *member = root->first; member; member = member->next) {
        if (str_equal(member->key, STR("settings"))) {
            TRY(settings_read(self, member, err));
        } else if (str_equal(member->key, STR("catalogs"))) {
            TRY(catalogs_read(self, member, err));
        } else {
            (void)config_error(self, member->key_line, member->key_column, err,
                               "unknown key \"" STR_FORMAT "\"", STR_ARGS(member->key));
            return config_suggest(err, member->key, COUNT_OF(keys), keys);
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- literal secrets */

/* Names under which passwords usually stand. The connectors' tables know better, but are not loaded. */
static bool sounds_secret(Str key) {
    static const char *const words[] = {"password",   "passwd",      "secret", "token",
                                        "passphrase", "private_key", "api_key"};
    for (size_t w = 0; w < COUNT_OF(words); w++) {
        Str word = str_from(words[w]);
        for (size_t at = 0; at + word.len <= key.len; at++) {
            if (str_equal_fold((Str){key.data + at, word.len}, word)) return true;
        }
    }
    return false;
}

static bool is_literal_secret(const JsonValue *member) {
    return member->kind == JSON_STRING && member->text.len > 0 && sounds_secret(member->key) &&
           !config_has_reference(member->text);
}

/* How many there are; the first and its catalog. */
static uint32_t literal_secrets(const Config *self, const JsonValue **first, Str *catalog) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->ncatalogs; i++) {
        for (const JsonValue *member = self->catalogs[i].members->first; member;
             member = member->next) {
            if (!is_literal_secret(member) || count++ > 0) continue;
            *first = member;
            *catalog = self->catalogs[i].name;
        }
    }
    return count;
}

/* The warning names the place, never the value. */
static Status exposure_check(Config *self, mode_t mode, Error *err) {
    const JsonValue *secret;
    Str catalog;
    char more[40] = "";
    const char *text;
    if (!(mode & (S_IRGRP | S_IROTH))) return TRIB_OK;
    uint32_t count = literal_secrets(self, &secret, &catalog);
    if (count == 0) return TRIB_OK;
    if (count > 1) (void)text_format(more, sizeof more, " (and %u more)", count - 1);
    TRY_ALLOC(text,
              arena_printf(self->arena,
                           "%s:%u: \"" STR_FORMAT "\" of catalog \"" STR_FORMAT
                           "\"%s is a secret in a file that %s can read: use chmod 600, or refer "
                           "to it as ${env:NAME} or ${file:/path}",
                           self->path, secret->key_line, STR_ARGS(secret->key), STR_ARGS(catalog),
                           more, mode & S_IROTH ? "everybody" : "its group"),
              err);
    self->warnings[self->nwarnings++] = text;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading */

static Status config_new(Str path, Config **out, Error *err) {
    Arena *arena;
    Config *self;
    TRY_ALLOC(arena, arena_new(NULL), err);
    self = ARENA_NEW(arena, Config);
    if (self) self->path = str_dup(arena, path);
    if (!self || !self->path) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    atomic_init(&self->references, 1);
    *out = self;
    return TRIB_OK;
}

static Status config_parse(Config *self, Str text, Error *err) {
    JsonValue *root;
    /* A file that some editors begin with a byte order mark. */
    if (text.len >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0)
        text = (Str){text.data + 3, text.len - 3};
    Status status = json_parse(self->arena, text, true, &root, err);
    if (status == TRIB_OK) return root_read(self, root, err);
    if (status == TRIB_MEMORY) return status;
    Error why = *err;
    return config_error(self, why.line, why.column, err, "%s", why.message);
}

static Status text_load(Str text, Config **out, Error *err) {
    Config *self;
    TRY(config_new(STR(""), &self, err));
    char *copy = str_dup(self->arena, text);
    Status status =
        copy ? config_parse(self, (Str){copy, text.len}, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        config_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static Status file_load(Str path, mode_t mode, Config **out, Error *err) {
    Config *self;
    Str text;
    TRY(config_new(path, &self, err));
    Status status = os_read_file(self->arena, self->path, MAX_FILE, &text, err);
    if (status == TRIB_IO) {
        Error why = *err;
        status = config_error(self, 0, 0, err, "%s", why.message);
    }
    if (status == TRIB_OK) status = config_parse(self, text, err);
    if (status == TRIB_OK) status = exposure_check(self, mode, err);
    if (status != TRIB_OK) {
        config_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- files read before */

typedef struct FileStamp {
    dev_t device;
    ino_t inode;
    off_t size;
    mode_t mode;
    struct timespec modified, changed;
} FileStamp;

static struct {
    pthread_mutex_t lock;
    struct {
        FileStamp stamp;
        Config *config;
    } files[CACHED_MOST];
    uint32_t next;
} known = {.lock = PTHREAD_MUTEX_INITIALIZER};

static FileStamp stamp_of(const struct stat *facts) {
    FileStamp stamp;
    memset(&stamp, 0, sizeof stamp);
    stamp.device = facts->st_dev;
    stamp.inode = facts->st_ino;
    stamp.size = facts->st_size;
    stamp.mode = facts->st_mode;
    stamp.modified = facts->st_mtim;
    stamp.changed = facts->st_ctim;
    return stamp;
}

/* A file that changed within the last two seconds may change again without its times showing it. */
static bool stamp_settled(const FileStamp *stamp) {
    return os_realtime_us() / 1000000 - stamp->changed.tv_sec > 2;
}

static Config *known_find(const FileStamp *stamp, Str path) {
    Config *found = NULL;
    if (!stamp_settled(stamp) || pthread_mutex_trylock(&known.lock) != 0) return NULL;
    for (uint32_t i = 0; i < CACHED_MOST && !found; i++) {
        Config *config = known.files[i].config;
        if (!config || memcmp(&known.files[i].stamp, stamp, sizeof *stamp) != 0) continue;
        if (!str_equal(str_from(config->path), path)) continue;
        config_retain(config);
        found = config;
    }
    pthread_mutex_unlock(&known.lock);
    return found;
}

static void known_add(const FileStamp *stamp, Config *config) {
    if (!stamp_settled(stamp) || pthread_mutex_trylock(&known.lock) != 0) return;
    uint32_t place = known.next++ % CACHED_MOST;
    Config *old = known.files[place].config;
    config_retain(config);
    known.files[place].config = config;
    known.files[place].stamp = *stamp;
    pthread_mutex_unlock(&known.lock);
    config_release(old);
}

/* *out NULL: there is no such file (only if `optional`). */
static Status path_load(Str path, bool optional, Config **out, Error *err) {
    struct stat facts;
    char zero_ended[4096];
    *out = NULL;
    if (path.len >= sizeof zero_ended || (path.len && memchr(path.data, '\0', path.len)))
        return error_set(err, ERR_CONFIGURATION,
                         "the path of the configuration is too long or holds a zero byte");
    memcpy(zero_ended, path.data, path.len);
    zero_ended[path.len] = '\0';
    if (stat(zero_ended, &facts) != 0) {
        int why = errno;
        if (optional && (why == ENOENT || why == ENOTDIR || why == EACCES)) return TRIB_OK;
        (void)error_errno(err, ERR_CONFIGURATION, why, "the configuration cannot be read");
        return error_detail(err, "file: %s", zero_ended);
    }
    if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode) && !S_ISCHR(facts.st_mode))
        return error_set(err, ERR_CONFIGURATION, "the configuration %s is not a file", zero_ended);
    FileStamp stamp = stamp_of(&facts);
    if ((*out = known_find(&stamp, path)) != NULL) return TRIB_OK;
    TRY(file_load(path, facts.st_mode, out, err));
    known_add(&stamp, *out);
    return TRIB_OK;
}

static Status usual_places(Arena *arena, Config **out, Error *err) {
    const char *variable = os_env("TRIBUTARY_CONFIG");
    if (variable) return path_load(str_from(variable), false, out, err);
    char *folder = os_config_dir(arena);
    if (folder) {
        char *path;
        TRY_ALLOC(path, arena_printf(arena, "%s/tributary.json", folder), err);
        TRY(path_load(str_from(path), true, out, err));
        if (*out) return TRIB_OK;
    }
    TRY(path_load(STR(TRIB_SYSCONF_DIR "/tributary/tributary.json"), true, out, err));
    if (*out) return TRIB_OK;
    TRY(path_load(STR("/etc/tributary/tributary.json"), true, out, err));
    if (*out) return TRIB_OK;
    return config_new(STR(""), out, err);
}

Status config_load(Str path, Str text, Config **out, Error *err) {
    if (text.len > 0) return text_load(text, out, err);
    if (path.len > 0) return path_load(path, false, out, err);
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = usual_places(arena, out, err);
    arena_free(arena);
    return status;
}

/* ---------------------------------------------------------------- looking */

void config_retain(Config *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void config_release(Config *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    arena_free(self->arena);
}

const char *config_path(const Config *self) {
    return self->path;
}

uint32_t config_setting_count(const Config *self) {
    return self->nsettings;
}

void config_setting(const Config *self, uint32_t index, Str *name, Str *value, uint32_t *line,
                    uint32_t *column) {
    const ConfigSetting *setting = &self->settings[index];
    *name = setting->name;
    *value = setting->value;
    *line = setting->line;
    *column = setting->column;
}

uint32_t config_warning_count(const Config *self) {
    return self->nwarnings;
}

const char *config_warning(const Config *self, uint32_t index) {
    return self->warnings[index];
}

uint32_t config_catalog_count(const Config *self) {
    return self->ncatalogs;
}

const ConfigCatalog *config_catalog(const Config *self, uint32_t index) {
    return &self->catalogs[index];
}
