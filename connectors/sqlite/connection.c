/*
 * connection.c - connections to the file: opening into a known state, waiting for locks, errors.
 *
 * State of every connection: double-quoted text is never a string, the schema is not trusted with
 * functions that have side effects, foreign keys hold, no memory mapping (a truncated file must
 * not kill the host). Connections are opened without SQLite's own mutex: one user at a time, which the
 * pool guarantees; sqlite3_interrupt alone comes from other threads.
 *
 * Cancellation: the progress handler looks at the scan's flag and at the call (cancel, deadline) every
 * few thousand steps of the virtual machine; the busy handler looks between two attempts at a lock.
 */
#include "connectors/sqlite/sqlite_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>

#include "engine/base/os.h"

enum { PROGRESS_STEPS = 4000 };

static bool db_stopped(LiteDb *db) {
    if (db->cancelled && atomic_load_explicit(db->cancelled, memory_order_relaxed)) return true;
    return db->call && (call_cancelled(db->call) || call_remaining_ns(db->call) == 0);
}

static int on_progress(void *context) {
    return db_stopped(context);
}

/* Waits 1, 2, 4 ... 25 ms and tries again, until busy_timeout has passed or the call has ended. */
static int on_busy(void *context, int attempts) {
    LiteDb *db = context;
    int64_t now = os_now_ns();
    if (attempts == 0) db->busy_until = now + db->busy_ms * 1000000;
    if (now >= db->busy_until || db_stopped(db)) return 0;
    long ms = attempts < 5 ? 1L << attempts : 25;
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
    return 1;
}

/* What SQLite says in words alone (SQLITE_ERROR). */
static ErrorCode code_of_words(const char *text) {
    static const struct {
        const char *words;
        ErrorCode code;
    } rows[] = {{"integer overflow", ERR_OUT_OF_RANGE},
                {"no such table", ERR_TABLE_NOT_FOUND},
                {"no such column", ERR_COLUMN_NOT_FOUND},
                {"has no column named", ERR_COLUMN_NOT_FOUND}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strstr(text, rows[i].words)) return rows[i].code;
    return ERR_SOURCE;
}

Status lite_error(const TribCatalog *catalog, LiteDb *db, int rc, const char *what, Error *err) {
    const char *text = db && db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc);
    ErrorCode code = ERR_SOURCE;
    Str column;
    const LiteBounds *bounds = db && db->db ? lite_bounds_violated(db, &column) : NULL;
    if (db && db->call && (rc & 0xff) != SQLITE_NOMEM) {
        if (call_check(db->call, catalog->name, err) != TRIB_OK) return err->status;
    }
    switch (rc & 0xff) {
    case SQLITE_INTERRUPT: code = ERR_CANCELLED; break;
    case SQLITE_NOMEM: error_out_of_memory(err); return error_source(err, catalog->name);
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = ERR_TIMEOUT; break;
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB: code = ERR_CONNECT_FAILED; break;
    case SQLITE_PERM:
    case SQLITE_AUTH: code = ERR_AUTHORIZATION; break;
    case SQLITE_READONLY: code = ERR_READ_ONLY; break;
    case SQLITE_CONSTRAINT: code = bounds ? ERR_OUT_OF_RANGE : ERR_CONSTRAINT; break;
    case SQLITE_TOOBIG: code = ERR_LIMIT; break;
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_CORRUPT: code = ERR_IO; break;
    case SQLITE_ERROR: code = code_of_words(text); break;
    default: break;
    }
    if (code == ERR_CANCELLED)
        error_set(err, code, "the query was cancelled");
    else if (code == ERR_OUT_OF_RANGE && bounds)
        error_set(err, code,
                  "%s: column \"" STR_FORMAT "\" is of type %s, which holds %lld to %lld", what,
                  STR_ARGS(column), bounds->name, (long long)bounds->low, (long long)bounds->high);
    else
        error_set(err, code, "%s: %s", what, text);
    err->native = rc;
    if (code == ERR_TABLE_NOT_FOUND || code == ERR_COLUMN_NOT_FOUND) {
        error_hint(err, "if the table was changed, its cached description may be stale");
    }
    if ((rc & 0xff) == SQLITE_BUSY) {
        err->retryable = true;
        error_hint(
            err,
            "another process holds a lock on the file; busy_timeout says how long to wait for it");
    }
    return error_source(err, catalog->name);
}

/* Why the file could not be opened, more usefully than SQLite says it. */
static Status open_error(const TribCatalog *catalog, LiteDb *db, int rc, Error *err) {
    struct stat info;
    lite_error(catalog, db, rc, "the database cannot be opened", err);
    if (err->status != TRIB_CONNECT && err->status != TRIB_IO) return err->status;
    error_set(err, ERR_CONNECT_FAILED, "the database \"%s\" cannot be opened: %s", catalog->path,
              db->db ? sqlite3_errmsg(db->db) : sqlite3_errstr(rc));
    err->native = rc;
    if (stat(catalog->path, &info) != 0) {
        error_detail(err, "%s",
                     errno == ENOENT || errno == ENOTDIR ? "there is no such file"
                                                         : "the file cannot be looked at");
    } else if (S_ISDIR(info.st_mode)) {
        error_detail(err, "it is a folder");
    } else if ((rc & 0xff) == SQLITE_CANTOPEN) {
        error_hint(err, "check the permissions of the file; a WAL database also needs its -shm "
                        "file to be readable, "
                        "or the folder to be writable");
    }
    return error_source(err, catalog->name);
}

static int db_configure(LiteDb *db) {
    static const char pragmas[] =
        "PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON;";
    int rc = sqlite3_extended_result_codes(db->db, 1);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_db_config(db->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_busy_handler(db->db, on_busy, db);
    if (rc == SQLITE_OK) rc = sqlite3_exec(db->db, pragmas, NULL, NULL, NULL);
    /* Reads the header: a file that is no database fails here. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db->db, "SELECT 1 FROM main.sqlite_schema LIMIT 1", NULL, NULL, NULL);
    if (rc == SQLITE_OK) sqlite3_progress_handler(db->db, PROGRESS_STEPS, on_progress, db);
    return rc;
}

static Status db_open(void *context, TribCall *call, void **connection, Error *err) {
    TribCatalog *catalog = context;
    LiteDb *db;
    TRY_ALLOC(db, heap_alloc(sizeof *db), err);
    db->busy_ms = catalog->busy_ms;
    db->call = call;
    int flags =
        SQLITE_OPEN_NOMUTEX | (catalog->readwrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    int rc = sqlite3_open_v2(catalog->path, &db->db, flags, NULL);
    if (rc == SQLITE_OK) rc = db_configure(db);
    if (rc != SQLITE_OK) {
        Status status = open_error(catalog, db, rc, err);
        sqlite3_close(db->db);
        heap_free(db);
        return status;
    }
    struct stat info;
    if (stat(catalog->path, &info) == 0) db->device = info.st_dev, db->inode = info.st_ino;
    *connection = db;
    return TRIB_OK;
}

/* A file that was replaced since (renamed over, say) must not be read through the old one. */
static bool db_alive(void *context, TribCall *call, void *connection, int64_t idle_ns) {
    const TribCatalog *catalog = context;
    const LiteDb *db = connection;
    struct stat info;
    return stat(catalog->path, &info) == 0 && info.st_dev == db->device && info.st_ino == db->inode;
}

static void db_close(void *context, void *connection) {
    LiteDb *db = connection;
    for (uint32_t i = 0; i < LITE_KEPT; i++) sqlite3_finalize(db->kept[i]);
    sqlite3_close_v2(db->db);
    heap_free(db);
}

const PoolHooks lite_hooks = {.open = db_open, .close = db_close, .alive = db_alive};

Status lite_take(TribCatalog *catalog, TribCall *call, const atomic_bool *cancelled, LiteDb **out,
                 Error *err) {
    void *connection;
    *out = NULL;
    if (call && call->transaction) {
        *out = call->transaction->db;
        (*out)->call = call;
        (*out)->cancelled = cancelled;
        return TRIB_OK;
    }
    TRY(pool_take(catalog->pool, call, &connection, err));
    *out = connection;
    (*out)->call = call;
    (*out)->cancelled = cancelled;
    return TRIB_OK;
}

void lite_give(TribCatalog *catalog, LiteDb *db) {
    db->call = NULL;
    db->cancelled = NULL;
    if (!db->in_transaction) pool_give(catalog->pool, db);
}

Status lite_prepare(const TribCatalog *catalog, LiteDb *db, const char *sql, size_t length,
                    sqlite3_stmt **out, Error *err) {
    if (length > INT32_MAX)
        return error_set(err, ERR_LIMIT, "a statement of %zu bytes is too long for SQLite", length);
    int rc = sqlite3_prepare_v2(db->db, sql, (int)length, out, NULL);
    if (rc == SQLITE_OK) return TRIB_OK;
    lite_error(catalog, db, rc, "SQLite refused the statement", err);
    return error_detail(err, "%.*s", (int)utf8_cut(sql, length, 500), sql);
}

Status lite_prepare_kept(const TribCatalog *catalog, LiteDb *db, const char *sql, size_t length,
                         sqlite3_stmt **out, Error *err) {
    for (uint32_t i = 0; i < LITE_KEPT && db->kept[i]; i++) {
        const char *text = sqlite3_sql(db->kept[i]);
        if (strlen(text) != length || memcmp(text, sql, length) != 0) continue;
        *out = db->kept[i];
        for (; i + 1 < LITE_KEPT; i++) db->kept[i] = db->kept[i + 1];
        db->kept[LITE_KEPT - 1] = NULL;
        return TRIB_OK;
    }
    return lite_prepare(catalog, db, sql, length, out, err);
}

void lite_keep(LiteDb *db, sqlite3_stmt *stmt) {
    if (!stmt) return;
    (void)sqlite3_reset(stmt); /* says again how its last step ended */
    (void)sqlite3_clear_bindings(stmt);
    sqlite3_finalize(db->kept[LITE_KEPT - 1]);
    for (uint32_t i = LITE_KEPT - 1; i > 0; i--) db->kept[i] = db->kept[i - 1];
    db->kept[0] = stmt;
}

Status lite_step(const TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, bool *row,
                 Error *err) {
    int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) return TRIB_OK;
    return lite_error(catalog, db, rc, "SQLite could not read on", err);
}
