/*
 * scan.c - one running SELECT: execute, fetch row by row into batches, end honestly.
 *
 * The rows' end is MYSQL_NO_DATA and nothing else; every other code is an error, even if the library
 * has no error code for it. A scan that ends before its rows do cuts its connection, since there is no
 * other way to stop a result without reading it to the end.
 *
 * Threads: one at a time, but scan_cancel, which may come from anywhere: it cuts the socket under the
 * scan's lock, which guards the connection's coming and going. Memory: an arena per scan for texts and
 * parameters, a batch builder, the library's packet buffer.
 */
#include <errmsg.h>
#include <inttypes.h>
#include <time.h>

#include "connectors/mysql/bind.h"
#include "connectors/mysql/decode.h"
#include "connectors/mysql/plan.h"
#include "engine/base/os.h"

#define PARTIAL_AFTER_NS INT64_C(50000000) /* a slow source's rows are handed on after this */
#define PARTIAL_LOOK     64                /* rows between two looks at the clock */
#define BATCH_ROWS       2048
#define BATCH_BYTES      (UINT64_C(1) << 20)
#define FILTER_PARAMS    4000

struct TribScan {
    TribCatalog *catalog;
    TribCall *call;
    TribPlan *plan; /* retained */
    Arena *arena;
    BatchBuilder *batch;
    RowDecoder decoder;
    Guard guard;
    MYSQL_STMT *statement;
    bool guarded, finished;
    pthread_mutex_t lock;   /* guards connection against scan_cancel */
    Connection *connection; /* NULL once it has gone back */
    atomic_bool cancelled;
    TribStats stats;
};

/* ---------------------------------------------------------------- statements */

Status statement_execute(Connection *connection, Guard *guard, Arena *arena, const SqlFragment *sql,
                         const TribValue *slots, uint32_t nslots, MYSQL_STMT **statement,
                         Error *err) {
    MYSQL_BIND *binds;
    TRY(bind_params(arena, sql, slots, nslots, &binds, err));
    PipeShield shield;
    pipe_shield(&shield);
    *statement = mysql_stmt_init(connection->mysql);
    Status status = *statement ? TRIB_OK : error_out_of_memory(err);
    if (status == TRIB_OK) {
        connection->executing = true;
        bool failed = mysql_stmt_prepare(*statement, sql->text, (unsigned long)sql->len) != 0;
        if (!failed && mysql_stmt_param_count(*statement) != sql->nparams) {
            status =
                error_set(err, ERR_IO, "the server counts %lu parameters where %u were written",
                          mysql_stmt_param_count(*statement), sql->nparams);
            connection->broken = true;
        } else if (!failed && sql->nparams) {
            failed = mysql_stmt_bind_param(*statement, binds) != 0;
        }
        if (status == TRIB_OK && !failed) failed = mysql_stmt_execute(*statement) != 0;
        if (status == TRIB_OK && failed) {
            status = connection_fail(connection, *statement, guard, err);
            connection->executing = connection->broken;
        }
    }
    pipe_unshield(&shield);
    return status;
}

/* ---------------------------------------------------------------- opening */

/* The conditions of the split and of the runtime filter, as far as it is known. */
static Status scan_conditions(TribScan *self, const TribScanRequest *request, SqlFragment **out,
                              uint32_t *count, Error *err) {
    const PlanSplit *part = request->split ? request->split->data : NULL;
    const TribFilterKey *keys = NULL;
    uint32_t nkeys = 0;
    TribFilter *filter = request->filter;
    if (filter && !filter->ready(filter, &nkeys, &keys)) nkeys = 0;
    TRY_ALLOC(*out, ARENA_ARRAY(self->arena, SqlFragment, (size_t)nkeys + 1), err);
    *count = 0;
    if (part && part->condition.len) (*out)[(*count)++] = part->condition;
    for (uint32_t i = 0; i < nkeys; i++) {
        SqlFragment *condition = &(*out)[*count];
        TRY(sql_filter(&shippable_dialect, self->catalog->settings, self->arena,
                       &self->plan->select, &keys[i], FILTER_PARAMS / nkeys, condition, err));
        if (condition->len) (*count)++;
    }
    return TRIB_OK;
}

static Status scan_connect(TribScan *self, const TribScanRequest *request, Error *err) {
    PlanSplit *part = request->split ? (PlanSplit *)(uintptr_t)request->split->data : NULL;
    Connection *connection = NULL;
    if (part && part->snapshot) {
        connection = plan_take_connection(self->plan, part);
        if (!connection) {
            error_set(err, ERR_CONNECTION_LOST,
                      "the snapshot that this part of the table belongs to is gone");
            return error_source(err, self->catalog->settings->catalog);
        }
    } else {
        TRY(catalog_take(self->catalog, self->call, &connection, err));
    }
    pthread_mutex_lock(&self->lock);
    self->connection = connection;
    pthread_mutex_unlock(&self->lock);
    self->guarded = true;
    return guard_begin(&self->guard, self->catalog->watchdog, connection, self->call, err);
}

static Status scan_start(TribScan *self, const TribScanRequest *request, Error *err) {
    SqlFragment *conditions, sql;
    uint32_t count = 0;
    uint32_t rows =
        request->batch_rows && request->batch_rows <= 65536 ? request->batch_rows : BATCH_ROWS;
    uint64_t bytes = request->batch_bytes ? request->batch_bytes : BATCH_BYTES;
    TribType *types;
    uint32_t noutput = self->plan->select.noutput;
    TRY_ALLOC(types, ARENA_ARRAY(self->arena, TribType, noutput), err);
    for (uint32_t i = 0; i < noutput; i++) types[i] = self->plan->select.outputs[i].type;
    TRY(batch_builder_new(self->catalog->host, types, noutput, rows, bytes, &self->batch, err));
    TRY(scan_conditions(self, request, &conditions, &count, err));
    TRY(sql_select_join(self->arena, &self->plan->select, conditions, count, &sql, err));
    if (request->for_update) {
        TRY_ALLOC(sql.text, arena_printf(self->arena, "%s FOR UPDATE", sql.text), err);
        sql.len = strlen(sql.text);
    }
    TRY(scan_connect(self, request, err));
    int64_t began = os_now_ns();
    self->stats.requests = 1;
    TRY(statement_execute(self->connection, &self->guard, self->arena, &sql, request->params,
                          request->nparams, &self->statement, err));
    self->stats.wait_ns += os_now_ns() - began;
    Status status = decoder_init(&self->decoder, self->arena, self->catalog->settings, self->call,
                                 self->batch, &self->plan->select, self->statement, err);
    if (status != TRIB_OK) error_source(err, self->catalog->settings->catalog);
    return status;
}

TribStatus scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                     TribScan **out, struct ArrowSchema *schema, TribError *err) {
    TribScan *self;
    *out = NULL;
    if (schema) schema->release = NULL;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    self->call = call;
    self->plan = (TribPlan *)(uintptr_t)request->plan;
    plan_retain(self->plan);
    pthread_mutex_init(&self->lock, NULL);
    atomic_init(&self->cancelled, false);
    self->arena = arena_new(NULL);
    Status status = self->arena ? scan_start(self, request, err) : error_out_of_memory(err);
    if (status != TRIB_OK) {
        scan_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- fetching */

static uint64_t bytes_received(Connection *connection) {
    size_t bytes = 0;
    return mariadb_get_infov(connection->mysql, MARIADB_CONNECTION_BYTES_READ, &bytes) == 0 ? bytes
                                                                                            : 0;
}

/* Takes the connection out of scan_cancel's reach. */
static Connection *scan_detach(TribScan *self) {
    pthread_mutex_lock(&self->lock);
    Connection *connection = self->connection;
    self->connection = NULL;
    pthread_mutex_unlock(&self->lock);
    return connection;
}

/*
 * A transaction's connection outlives the scan: what is left of the rows is read and dropped, unless somebody
 * cancels. Closing the statement does that.
 */
static void scan_drain(TribScan *self) {
    Connection *connection = self->connection;
    PipeShield shield;
    pipe_shield(&shield);
    if (self->statement) mysql_stmt_close(self->statement);
    self->statement = NULL;
    if (mysql_errno(connection->mysql) != 0) connection->broken = true;
    pipe_unshield(&shield);
    connection->executing = connection->broken;
}

/* All rows were read: the connection is whole and goes back for others. */
static void scan_finish(TribScan *self) {
    self->finished = true;
    Connection *connection = scan_detach(self);
    if (!connection) return;
    PipeShield shield;
    guard_end(&self->guard);
    self->guarded = false;
    connection->executing = connection->broken;
    pipe_shield(&shield);
    if (connection->broken || atomic_load(&self->cancelled)) {
        connection->broken = true;
        connection_interrupt(connection);
    }
    mysql_stmt_close(self->statement);
    pipe_unshield(&shield);
    self->statement = NULL;
    catalog_return(self->catalog, connection);
}

static Status fetch_failed(TribScan *self, int result, Error *err) {
    if (result == MYSQL_DATA_MALFORMED) {
        self->connection->broken = true;
        if (guard_fired(&self->guard, err))
            return error_source(err, self->catalog->settings->catalog);
        error_set(err, ERR_IO, "the server sent a malformed row");
        return error_source(err, self->catalog->settings->catalog);
    }
    Connection *connection = self->connection;
    Status status = connection_fail(connection, self->statement, &self->guard, err);
    if (connection->in_transaction && !connection->broken) {
        /* The server's error was the last packet of the result: there is nothing left to be read. */
        connection->mysql->status = MYSQL_STATUS_READY;
        connection->executing = false;
    }
    if (err->native == CR_SERVER_LOST) {
        /* The library reports nothing else for a packet beyond its limit. */
        error_hint(err,
                   "if it happens again: a row longer than max_packet (%" PRId64
                   " bytes) ends the connection as well",
                   self->catalog->settings->max_packet);
    }
    if (atomic_load(&self->cancelled)) status = error_set(err, ERR_CANCELLED, "operation canceled");
    return status;
}

/* Rows until the batch is full, the source is slow, or the rows end. */
static Status fetch_rows(TribScan *self, uint32_t most, Error *err) {
    BatchBuilder *batch = self->batch;
    int64_t began = os_now_ns();
    while (batch->rows < most && !batch_full(batch)) {
        int result = mysql_stmt_fetch(self->statement);
        if (result == MYSQL_NO_DATA) {
            self->finished = true;
            return TRIB_OK;
        }
        if (result != 0) return fetch_failed(self, result, err);
        Status status = decoder_row(&self->decoder, self->statement, err);
        if (status != TRIB_OK) return error_source(err, self->catalog->settings->catalog);
        if (batch->rows % PARTIAL_LOOK == 0 && os_now_ns() - began > PARTIAL_AFTER_NS)
            return TRIB_OK;
    }
    return TRIB_OK;
}

static int64_t thread_cpu_ns(void) {
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) return 0;
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

TribStatus scan_next(TribScan *self, uint32_t max_rows, TribBatch *batch, TribError *err) {
    memset(batch, 0, sizeof *batch);
    if (atomic_load(&self->cancelled)) {
        error_set(err, ERR_CANCELLED, "operation canceled");
        return error_source(err, self->catalog->settings->catalog);
    }
    if (self->finished) return TRIB_OK;
    TRY(call_check(self->call, self->catalog->settings->catalog, err));
    TRY(batch_begin(self->batch, err));
    int64_t wall = os_now_ns(), cpu = thread_cpu_ns();
    uint64_t before = bytes_received(self->connection);
    TRY(fetch_rows(self,
                   max_rows && max_rows < self->batch->max_rows ? max_rows : self->batch->max_rows,
                   err));
    int64_t waited = (os_now_ns() - wall) - (thread_cpu_ns() - cpu);
    if (waited > 0) self->stats.wait_ns += waited;
    self->stats.bytes += bytes_received(self->connection) - before;
    self->stats.rows += self->batch->rows;
    bool any = self->batch->rows > 0;
    if (any) batch_finish(self->batch, batch);
    if (self->finished) scan_finish(self);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- cancelling and ending */

void scan_cancel(TribScan *self) {
    atomic_store(&self->cancelled, true);
    pthread_mutex_lock(&self->lock);
    if (self->connection) connection_interrupt(self->connection);
    pthread_mutex_unlock(&self->lock);
}

void scan_stats(TribScan *self, TribStats *stats) {
    size_t size = stats->size && stats->size < sizeof *stats ? stats->size : sizeof *stats;
    self->stats.size = size;
    memcpy(stats, &self->stats, size);
}

void scan_release(TribScan *self) {
    if (!self) return;
    /* While the connection can still be cut by scan_cancel, and by the call's deadline. */
    if (self->connection && self->connection->in_transaction && self->connection->executing &&
        !self->connection->broken)
        scan_drain(self);
    Connection *connection = scan_detach(self);
    if (self->guarded) guard_end(&self->guard);
    if (connection && !connection->broken && !connection->executing) {
        /* Nothing runs on it (the statement was refused): it may be used again. */
        if (self->statement) mysql_stmt_close(self->statement);
        self->statement = NULL;
        catalog_return(self->catalog, connection);
    } else if (connection && connection->in_transaction) {
        connection->broken = true; /* the transaction finds out, and closes it */
        connection_interrupt(connection);
    } else if (connection) {
        /* Closing first: a statement whose connection is gone is freed without draining its rows. */
        connection->broken = true;
        pool_discard(self->catalog->pool, connection);
    }
    if (self->statement) mysql_stmt_close(self->statement);
    batch_builder_free(self->batch);
    if (self->arena) arena_free(self->arena);
    plan_release(self->plan);
    pthread_mutex_destroy(&self->lock);
    heap_free(self);
}
