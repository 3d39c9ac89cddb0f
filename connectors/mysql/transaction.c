/*
 * transaction.c - transactions: one connection from START TRANSACTION to COMMIT or ROLLBACK.
 *
 * The server may end a transaction by itself: after a deadlock it undoes all of it, and what comes then is
 * committed statement by statement. So after any error the connection is suspect, and before the next change, or
 * COMMIT, it is asked: the answer to SAVEPOINT carries the status flag that says whether a transaction is open.
 *
 * Marks: the savepoint of a statement is set with its first change, which spares it to statements that change
 * nothing. The next one of the same name takes its place, so that none needs to be released.
 *
 * COMMIT: once it has been sent, a connection that breaks (or is cut by a deadline) leaves the outcome unknown:
 * 08007, never tried again. A connection that broke before is known to be undone.
 *
 * Threads: one at a time. Memory: the heap.
 */
#include <inttypes.h>

#include "connectors/mysql/write.h"
#include "engine/base/os.h"

#define MARK            "tributary_statement"
#define UNDO_TIMEOUT_NS INT64_C(60000000000)

Status transaction_refuse(const TribCatalog *catalog, Error *err) {
    error_set(err, ERR_READ_ONLY, "the catalog is open for reading only");
    error_hint(err, "give the catalog \"mode\": \"readwrite\"");
    return error_source(err, catalog->settings->catalog);
}

TribStatus transaction_writable(TribCatalog *catalog, TribError *err) {
    return catalog->settings->readwrite ? TRIB_OK : transaction_refuse(catalog, err);
}

/* ---------------------------------------------------------------- beginning */

static const char *level_name(TribIsolation isolation) {
    switch (isolation) {
    case TRIB_READ_UNCOMMITTED: return "READ UNCOMMITTED";
    case TRIB_READ_COMMITTED: return "READ COMMITTED";
    case TRIB_SERIALIZABLE: return "SERIALIZABLE";
    default: return "REPEATABLE READ";
    }
}

static bool transaction_is_open(const Connection *connection) {
    return (connection->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

Status transaction_start(TribTx *self, Guard *guard, bool read_only, Error *err) {
    Connection *connection = self->connection;
    char text[80];
    text_format(text, sizeof text, "SET TRANSACTION ISOLATION LEVEL %s",
                level_name(self->isolation));
    TRY(connection_run(connection, guard, text, err));
    TRY(connection_run(connection, guard,
                       read_only ? "START TRANSACTION READ ONLY" : "START TRANSACTION", err));
    if (transaction_is_open(connection)) return TRIB_OK;
    connection->broken = true;
    error_set(err, ERR_SOURCE, "the server began no transaction when it was told to");
    return error_source(err, self->catalog->settings->catalog);
}

static Status transaction_connect(TribTx *self, TribCall *call, bool read_only, Error *err) {
    TribCatalog *catalog = self->catalog;
    Guard guard;
    void *taken;
    TRY(pool_take(catalog->pool, call, &taken, err));
    self->connection = taken;
    Status status = guard_begin(&guard, catalog->watchdog, self->connection, call, err);
    if (status == TRIB_OK) {
        status = transaction_start(self, &guard, read_only, err);
        guard_end(&guard);
    }
    if (status == TRIB_OK) return TRIB_OK;
    catalog_return(catalog, self->connection);
    self->connection = NULL;
    return status;
}

TribStatus transaction_begin(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                             TribTx **out, TribError *err) {
    TribTx *self;
    *out = NULL;
    if (!catalog->settings->readwrite && !request->read_only)
        return transaction_refuse(catalog, err);
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    self->isolation = request->isolation;
    Status status = transaction_connect(self, call, request->read_only, err);
    /* An idle connection may have been closed by the server just now: nothing was done on it yet. */
    if (status == TRIB_LOST && call_check(call, catalog->settings->catalog, err) == TRIB_OK)
        status = transaction_connect(self, call, request->read_only, err);
    if (status != TRIB_OK) {
        heap_free(self);
        return status;
    }
    self->connection->in_transaction = true;
    self->connection->suspect = false;
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- while it lasts */

static Status transaction_gone(const TribTx *self, Error *err) {
    error_set(err, ERR_SERIALIZATION,
              "the server has ended the transaction after an error: what it had changed is undone");
    return error_source(err, self->catalog->settings->catalog);
}

static Status transaction_lost(const TribTx *self, Error *err) {
    error_set(err, ERR_CONNECTION_LOST,
              "the connection of the transaction was lost: what it had changed is undone");
    return error_source(err, self->catalog->settings->catalog);
}

static Status savepoint(TribTx *self, Guard *guard, Error *err) {
    Connection *connection = self->connection;
    TRY(connection_run(connection, guard, "SAVEPOINT " MARK, err));
    if (!transaction_is_open(connection)) return transaction_gone(self, err);
    connection->suspect = false;
    return TRIB_OK;
}

Status transaction_change(TribTx *self, Guard *guard, Error *err) {
    self->changed = true;
    if (!self->mark_wanted) return TRIB_OK;
    TRY(savepoint(self, guard, err));
    self->mark_wanted = false;
    self->marked = true;
    return TRIB_OK;
}

void transaction_forget_statement(TribTx *self) {
    if (self->statement) {
        PipeShield shield;
        pipe_shield(&shield);
        mysql_stmt_close(self->statement);
        pipe_unshield(&shield);
    }
    heap_free(self->statement_text);
    self->statement = NULL;
    self->statement_text = NULL;
}

static Status statement_prepare(TribTx *self, Guard *guard, Str text, Error *err) {
    Connection *connection = self->connection;
    PipeShield shield;
    pipe_shield(&shield);
    self->statement = mysql_stmt_init(connection->mysql);
    Status status = self->statement ? TRIB_OK : error_out_of_memory(err);
    if (status == TRIB_OK &&
        mysql_stmt_prepare(self->statement, text.data, (unsigned long)text.len) != 0)
        status = connection_fail(connection, self->statement, guard, err);
    pipe_unshield(&shield);
    return status;
}

Status transaction_statement(TribTx *self, Guard *guard, Str text, MYSQL_STMT **out, Error *err) {
    *out = self->statement;
    if (self->statement && str_equal(str_from(self->statement_text), text)) return TRIB_OK;
    transaction_forget_statement(self);
    TRY_ALLOC(self->statement_text, heap_alloc(text.len + 1), err);
    memcpy(self->statement_text, text.data, text.len);
    Status status = statement_prepare(self, guard, text, err);
    if (status != TRIB_OK) {
        transaction_forget_statement(self);
        return status;
    }
    *out = self->statement;
    return TRIB_OK;
}

static Status mark_undo(TribTx *self, TribCall *call, Error *err) {
    Connection *connection = self->connection;
    Guard guard;
    if (connection->broken || connection->executing) return transaction_lost(self, err);
    TRY(guard_begin(&guard, self->catalog->watchdog, connection, call, err));
    Status status;
    if (self->marked)
        status = connection_run(connection, &guard, "ROLLBACK TO SAVEPOINT " MARK, err);
    else
        status = savepoint(self, &guard, err);
    if (status == TRIB_OK && !transaction_is_open(connection)) status = transaction_gone(self, err);
    if (status == TRIB_OK) connection->suspect = false;
    guard_end(&guard);
    return status;
}

TribStatus transaction_mark(TribTx *self, TribCall *call, TribMark mark, TribError *err) {
    Status status = TRIB_OK;
    if (mark == TRIB_MARK_SET && self->connection->broken) return transaction_lost(self, err);
    if (mark == TRIB_MARK_GO_BACK) status = mark_undo(self, call, err);
    self->mark_wanted = mark == TRIB_MARK_SET;
    self->marked = false;
    return status;
}

/* ---------------------------------------------------------------- ending */

static Status outcome_unknown(Connection *connection, const char *what, Error *err) {
    Error inner = *err;
    error_set(err, ERR_COMMIT_UNKNOWN,
              "the connection broke while the answer to %s was awaited: whether it was done is not "
              "known",
              what);
    err->native = inner.native;
    error_detail(err, "%s", inner.message);
    return error_source(err, connection->settings->catalog);
}

Status transaction_run_ddl(Connection *connection, Guard *guard, const char *sql, Error *err) {
    Status status = connection_run(connection, guard, sql, err);
    if (status == TRIB_LOST) return outcome_unknown(connection, "the statement", err);
    return status;
}

static Status transaction_commit(TribTx *self, TribCall *call, Error *err) {
    Connection *connection = self->connection;
    Guard guard;
    if (connection->broken || connection->executing) return transaction_lost(self, err);
    TRY(call_check(call, self->catalog->settings->catalog, err));
    TRY(guard_begin(&guard, self->catalog->watchdog, connection, call, err));
    Status status = connection->suspect ? savepoint(self, &guard, err) : TRIB_OK;
    if (status == TRIB_OK) {
        status = connection_run(connection, &guard, "COMMIT", err);
        if (status != TRIB_OK && connection->broken)
            status = outcome_unknown(connection, "COMMIT", err);
    }
    guard_end(&guard);
    return status;
}

/* A call of our own for clean-up: whoever asked may have been cancelled. */
static TribCall undo_call(const TribTx *self) {
    return (TribCall){.size = sizeof(TribCall),
                      .host = self->catalog->host,
                      .deadline_ns = os_now_ns() + UNDO_TIMEOUT_NS};
}

/* Closing the connection undoes it as well: failing is no error. */
static void transaction_rollback(TribTx *self) {
    Connection *connection = self->connection;
    TribCall call = undo_call(self);
    Guard guard;
    Error ignored;
    if (connection->broken || connection->executing) return;
    if (guard_begin(&guard, self->catalog->watchdog, connection, &call, &ignored) != TRIB_OK) {
        connection->broken = true;
        return;
    }
    if (connection_run(connection, &guard, "ROLLBACK", &ignored) != TRIB_OK)
        connection->broken = true;
    guard_end(&guard);
}

static Status drop_work(Connection *connection, Guard *guard, void *context, Error *err) {
    return connection_run(connection, guard, context, err);
}

/* The table that CREATE TABLE AS has made goes; if that cannot be done, the log says which one is left. */
static void transaction_drop(TribTx *self) {
    TribCall call = undo_call(self);
    Error err;
    Buf text;
    buf_init(&text, NULL, 4096);
    buf_printf(&text, "DROP TABLE IF EXISTS %s", self->drop);
    Status status = buf_status(&text, &err);
    if (status == TRIB_OK) status = catalog_run(self->catalog, &call, drop_work, text.data, &err);
    const TribHost *host = self->catalog->host;
    if (status != TRIB_OK && host && host->log) {
        buf_printf(&text, " could not be done: %s", err.message);
        if (buf_status(&text, &err) == TRIB_OK)
            host->log(host->self, TRIB_LOG_WARN, self->catalog->settings->catalog, text.data);
    }
    buf_clear(&text);
}

TribStatus transaction_end(TribTx *self, TribCall *call, bool commit, TribError *err) {
    Connection *connection = self->connection;
    transaction_forget_statement(self);
    Status status = commit ? transaction_commit(self, call, err) : TRIB_OK;
    bool undone = !commit || status != TRIB_OK;
    if (undone) transaction_rollback(self);
    connection->in_transaction = false;
    catalog_return(self->catalog, connection);
    if (self->drop && undone) transaction_drop(self);
    heap_free(self->drop);
    heap_free(self);
    return status;
}
