/*
 * metastore.c - descriptions of remote tables that outlive the process: SQLite in WAL mode.
 *
 *   catalog(id, identity, version)                     version counts up with each invalidation
 *   item(catalog, kind, schema, name, fetched, data)   as encode.c writes them
 *   view(name, ...)                                    see views.c; the only part that is no cache
 *
 * Any number of processes share the file. Migrations go by user_version; a file written by a newer
 * Tributary is left alone and not used. All but the views is a cache: whatever fails (a full disk, a
 * locked or damaged file) costs a question to the source, never a query.
 *
 * A Metastore is opened at the first description that is looked for, not when a connection opens. It is
 * shared by the sessions of the process; one mutex guards its connection. A forked child must not use
 * the parent's SQLite connection: it opens one of its own and abandons the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/log.h"
#include "engine/catalog/internal.h"

#define SCHEMA_VERSION 2
#define BUSY_MS        5000
#define IN_MEMORY      ":memory:"
/* How long another process's invalidation may go unnoticed. */
#define LOOK_NS INT64_C(50000000)
#define KEEP_US INT64_C(604800000000) /* items are thrown away after a week */

typedef enum {
    SQL_GET,
    SQL_PUT,
    SQL_ADD,
    SQL_ID,
    SQL_BUMP,
    SQL_DROP_TABLE,
    SQL_DROP_ALL,
    SQL_DATA_VERSION,
    SQL_COUNT
} SqlId;

static const char *const sql_texts[SQL_COUNT] = {
    [SQL_GET] =
        "SELECT item.data, item.fetched FROM item JOIN catalog ON catalog.id = item.catalog"
        " WHERE catalog.identity = ?1 AND item.kind = ?2 AND item.schema = ?3 AND item.name = ?4",
    [SQL_PUT] = "INSERT OR REPLACE INTO item(catalog, kind, schema, name, fetched, data)"
                " SELECT id, ?2, ?3, ?4, ?5, ?6 FROM catalog WHERE identity = ?1 AND version = ?7",
    [SQL_ADD] = "INSERT OR IGNORE INTO catalog(identity, version) VALUES (?1, 0)",
    [SQL_ID] = "SELECT version FROM catalog WHERE identity = ?1",
    [SQL_BUMP] = "INSERT INTO catalog(identity, version) VALUES (?1, 1)"
                 " ON CONFLICT(identity) DO UPDATE SET version = version + 1",
    [SQL_DROP_TABLE] =
        "DELETE FROM item WHERE catalog = (SELECT id FROM catalog WHERE identity = ?1)"
        " AND schema = ?2 COLLATE NOCASE"
        " AND (kind = 'l' OR kind = 't' AND name = ?3 COLLATE NOCASE)", /* in every spelling */
    [SQL_DROP_ALL] =
        "DELETE FROM item WHERE catalog = (SELECT id FROM catalog WHERE identity = ?1)",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
};

static const char *const migrations[SCHEMA_VERSION] = {
    "CREATE TABLE catalog(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, version INTEGER "
    "NOT NULL);"
    "CREATE TABLE item(catalog INTEGER NOT NULL, kind TEXT NOT NULL, schema TEXT NOT NULL, name "
    "TEXT NOT NULL,"
    " fetched INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(catalog, kind, schema, name)) "
    "WITHOUT ROWID;",
    "CREATE TABLE view(name TEXT PRIMARY KEY COLLATE NOCASE, text TEXT NOT NULL, catalog TEXT NOT "
    "NULL,"
    " schema TEXT NOT NULL, definition BLOB NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;",
};

struct Metastore {
    Metastore *next; /* guarded by the registry's lock, like references */
    uint32_t references;
    uint32_t stamp;
    char *path;
    pthread_mutex_t lock; /* guards what follows */
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_COUNT];
    int64_t data_version;
    int64_t looked_at; /* os_now_ns of the last look at data_version */
    uint64_t changes;  /* counts up when another process wrote */
};

static struct {
    pthread_mutex_t lock;
    _Atomic uint32_t stamp;
    Metastore *stores;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A forked child begins anew: another thread may have held the lock. */
static void registry_enter(void) {
    if (os_lock_forked(&registry.lock, &registry.stamp)) registry.stores = NULL;
}

/* ---------------------------------------------------------------- opening */

/* Private from its first byte on: SQLite gives its other files the mode of the database. */
static bool file_make(Arena *arena, const char *path) {
    char *folder = arena_strdup(arena, path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (!folder) return false;
    if (slash && slash != folder) {
        *slash = '\0';
        for (char *at = folder + 1; *at; at++) {
            if (*at != '/') continue;
            *at = '\0';
            (void)mkdir(folder, 0700);
            *at = '/';
        }
        (void)mkdir(folder, 0700);
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (file < 0) return false;
    close(file);
    return true;
}

static bool sql_run(sqlite3 *db, const char *sql) {
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static int64_t sql_number(sqlite3 *db, const char *sql, int64_t otherwise) {
    sqlite3_stmt *statement = NULL;
    int64_t value = otherwise;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

/* Brings the file up to this version, under a write lock, so that only one process does it. */
static const char *migrate(sqlite3 *db) {
    int64_t version = sql_number(db, "PRAGMA user_version", -1);
    if (version == SCHEMA_VERSION) return NULL;
    if (version < 0) return "it is not a database, or it is damaged";
    if (version > SCHEMA_VERSION) return "a newer version of Tributary has written it";
    if (!sql_run(db, "BEGIN IMMEDIATE")) return "it cannot be written to";
    version = sql_number(db, "PRAGMA user_version", -1);
    bool done = version >= 0;
    for (int64_t v = version; done && v < SCHEMA_VERSION; v++) done = sql_run(db, migrations[v]);
    char sql[64];
    (void)text_format(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION);
    done = done && sql_run(db, sql) && sql_run(db, "COMMIT");
    if (done) return NULL;
    (void)sql_run(db, "ROLLBACK");
    return "it cannot be written to";
}

static void items_expire(sqlite3 *db) {
    char sql[128];
    (void)text_format(sql, sizeof sql, "DELETE FROM item WHERE fetched < %lld",
                      (long long)(os_realtime_us() - KEEP_US));
    (void)sql_run(db, sql);
}

static const char *db_open(Metastore *self) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (strcmp(self->path, IN_MEMORY) == 0) flags |= SQLITE_OPEN_MEMORY | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(self->path, &self->db, flags, NULL) != SQLITE_OK)
        return "it cannot be opened";
    sqlite3_busy_timeout(self->db, BUSY_MS);
    if (sqlite3_db_readonly(self->db, "main") == 1) return "it cannot be written to";
    if (!sql_run(self->db, "PRAGMA journal_mode = WAL"))
        return "it is not a database, or it is damaged";
    (void)sql_run(self->db, "PRAGMA synchronous = NORMAL");
    const char *why = migrate(self->db);
    if (why) return why;
    for (int i = 0; i < SQL_COUNT; i++) {
        if (sqlite3_prepare_v3(self->db, sql_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &self->statements[i], NULL) != SQLITE_OK)
            return "it is damaged";
    }
    items_expire(self->db);
    return NULL;
}

/* Never in a forked child: closing the parent's connection there would undo the parent's locks. */
static void store_close(Metastore *self) {
    for (int i = 0; i < SQL_COUNT; i++) sqlite3_finalize(self->statements[i]);
    sqlite3_close(self->db);
    pthread_mutex_destroy(&self->lock);
    heap_free(self);
}

/* Under the registry's lock. */
static Metastore *store_open(Arena *arena, const char *path, const char **why) {
    size_t length = strlen(path);
    Metastore *self = heap_alloc(sizeof *self + length + 1);
    if (!self) {
        *why = "memory is exhausted";
        return NULL;
    }
    self->references = 1;
    self->stamp = os_pid_stamp();
    self->path = (char *)(self + 1);
    memcpy(self->path, path, length);
    pthread_mutex_init(&self->lock, NULL);
    bool made = strcmp(path, IN_MEMORY) == 0 || file_make(arena, path);
    *why = made ? db_open(self) : "it cannot be created or written to";
    if (!*why) return self;
    store_close(self);
    return NULL;
}

/* The warning lives as long as the process: it is one of few. */
static const char *warning_keep(const char *path, const char *why) {
    static _Thread_local char text[512];
    (void)text_format(
        text, sizeof text,
        "the metastore %s is not used: %s; descriptions of tables are kept in memory only", path,
        why);
    return text;
}

/* Under the registry's lock: one reference, or NULL and why. */
static Metastore *store_find(Arena *arena, const char *path, const char **why) {
    Metastore *found = registry.stores;
    while (found && (found->stamp != os_pid_stamp() || strcmp(found->path, path) != 0))
        found = found->next;
    if (found) {
        found->references++;
    } else if ((found = store_open(arena, path, why)) != NULL) {
        found->next = registry.stores;
        registry.stores = found;
    }
    return found;
}

Metastore *metastore_of_process(void) {
    const char *why = NULL;
    registry_enter();
    Metastore *found = store_find(NULL, IN_MEMORY, &why);
    if (found) found->references = 1; /* nobody releases it: it lasts as long as the process */
    pthread_mutex_unlock(&registry.lock);
    if (why) log_write(LOG_WARN, "", "the metastore in memory: %s", why);
    return found;
}

Metastore *metastore_open(Str path, const char **warning) {
    *warning = NULL;
    if (str_equal(path, STR(IN_MEMORY))) return NULL;
    Arena *arena = arena_new(NULL);
    if (!arena) return NULL;
    char *file = NULL;
    if (path.len) {
        file = str_dup(arena, path);
    } else {
        char *folder = os_state_dir(arena);
        if (folder)
            file = arena_printf(arena, "%s/metastore.db", folder);
        else
            *warning =
                "this user has no home folder: descriptions of tables are kept in memory only";
    }
    Metastore *found = NULL;
    if (file) {
        const char *why = NULL;
        registry_enter();
        found = store_find(arena, file, &why);
        pthread_mutex_unlock(&registry.lock);
        if (why) *warning = warning_keep(file, why);
    }
    arena_free(arena);
    if (*warning) log_write(LOG_WARN, "", "%s", *warning);
    return found;
}

void metastore_release(Metastore *self) {
    if (!self || self->stamp != os_pid_stamp()) return;
    registry_enter();
    bool last = --self->references == 0;
    if (last) {
        Metastore **place = &registry.stores;
        while (*place && *place != self) place = &(*place)->next;
        if (*place) *place = self->next;
    }
    pthread_mutex_unlock(&registry.lock);
    if (last) store_close(self);
}

/* ---------------------------------------------------------------- items */

static bool store_enter(Metastore *self) {
    if (self->stamp != os_pid_stamp()) return false;
    pthread_mutex_lock(&self->lock);
    return true;
}

static void store_leave(Metastore *self) {
    pthread_mutex_unlock(&self->lock);
}

static void bind_text(sqlite3_stmt *statement, int index, Str text) {
    (void)sqlite3_bind_text64(statement, index, text.data ? text.data : "", text.len, SQLITE_STATIC,
                              SQLITE_UTF8);
}

static void bind_key(sqlite3_stmt *statement, Str identity, char kind, const char *schema,
                     const char *name) {
    static const char kinds[] = "tsl";
    const char *at = strchr(kinds, kind);
    bind_text(statement, 1, identity);
    bind_text(statement, 2, (Str){at ? at : kinds, 1});
    bind_text(statement, 3, str_from(schema ? schema : ""));
    bind_text(statement, 4, str_from(name ? name : ""));
}

static bool finish(Metastore *self, SqlId id, int code) {
    bool fine = code == SQLITE_DONE || code == SQLITE_ROW;
    if (!fine) log_write(LOG_WARN, "", "metastore %s: %s", self->path, sqlite3_errmsg(self->db));
    (void)sqlite3_reset(self->statements[id]);
    (void)sqlite3_clear_bindings(self->statements[id]);
    return fine;
}

bool metastore_get(Metastore *self, Str identity, char kind, const char *schema, const char *name,
                   int64_t ttl_us, Arena *arena, Str *data, int64_t *fetched_us) {
    bool found = false;
    if (!store_enter(self)) return false;
    sqlite3_stmt *statement = self->statements[SQL_GET];
    bind_key(statement, identity, kind, schema, name);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const void *bytes = sqlite3_column_blob(statement, 0);
        size_t length = (size_t)sqlite3_column_bytes(statement, 0);
        int64_t now = os_realtime_us();
        *fetched_us = sqlite3_column_int64(statement, 1);
        /* A time in the future: somebody's clock was wrong. */
        if (bytes && *fetched_us <= now && now - *fetched_us <= ttl_us) {
            char *copy = arena_copy(arena, bytes, length);
            *data = (Str){copy, length};
            found = copy != NULL;
        }
    }
    (void)finish(self, SQL_GET, code);
    store_leave(self);
    return found;
}

void metastore_put(Metastore *self, Str identity, char kind, const char *schema, const char *name,
                   Str data, int64_t fetched_us, int64_t version) {
    if (!store_enter(self)) return;
    sqlite3_stmt *add = self->statements[SQL_ADD], *put_item = self->statements[SQL_PUT];
    bind_text(add, 1, identity);
    if (finish(self, SQL_ADD, sqlite3_step(add))) {
        bind_key(put_item, identity, kind, schema, name);
        (void)sqlite3_bind_int64(put_item, 5, fetched_us);
        (void)sqlite3_bind_blob64(put_item, 6, data.data, data.len, SQLITE_STATIC);
        (void)sqlite3_bind_int64(put_item, 7, version);
        (void)finish(self, SQL_PUT, sqlite3_step(put_item));
    }
    store_leave(self);
}

void metastore_invalidate(Metastore *self, Str identity, const char *schema, const char *name) {
    if (!store_enter(self)) return;
    if (sql_run(self->db, "BEGIN IMMEDIATE")) {
        sqlite3_stmt *bump = self->statements[SQL_BUMP];
        SqlId drop = name && schema ? SQL_DROP_TABLE : SQL_DROP_ALL;
        bind_text(bump, 1, identity);
        bool fine = finish(self, SQL_BUMP, sqlite3_step(bump));
        bind_text(self->statements[drop], 1, identity);
        if (drop == SQL_DROP_TABLE) {
            bind_text(self->statements[drop], 2, str_from(schema));
            bind_text(self->statements[drop], 3, str_from(name));
        }
        fine = finish(self, drop, sqlite3_step(self->statements[drop])) && fine;
        if (!fine || !sql_run(self->db, "COMMIT")) (void)sql_run(self->db, "ROLLBACK");
    } else {
        log_write(LOG_WARN, "", "metastore %s: %s", self->path, sqlite3_errmsg(self->db));
    }
    store_leave(self);
}

/* Under the lock: has another connection written since the last look? Asked at most every 50 ms. */
static void store_look(Metastore *self) {
    int64_t now = os_now_ns();
    if (self->looked_at && now - self->looked_at < LOOK_NS) return;
    self->looked_at = now;
    sqlite3_stmt *statement = self->statements[SQL_DATA_VERSION];
    int code = sqlite3_step(statement);
    int64_t version = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : self->data_version;
    (void)finish(self, SQL_DATA_VERSION, code);
    if (version != self->data_version) self->changes++;
    self->data_version = version;
}

sqlite3 *metastore_enter(Metastore *self) {
    return store_enter(self) ? self->db : NULL;
}

void metastore_leave(Metastore *self) {
    store_leave(self);
}

const char *metastore_path(const Metastore *self) {
    return self ? self->path : NULL;
}

int64_t metastore_version(Metastore *self, Str identity) {
    int64_t version = 0;
    if (!store_enter(self)) return 0;
    sqlite3_stmt *statement = self->statements[SQL_ID];
    bind_text(statement, 1, identity);
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) version = sqlite3_column_int64(statement, 0);
    (void)finish(self, SQL_ID, code);
    store_leave(self);
    return version;
}

uint64_t metastore_changes(Metastore *self) {
    if (!store_enter(self)) return 0;
    store_look(self);
    uint64_t changes = self->changes;
    store_leave(self);
    return changes;
}
