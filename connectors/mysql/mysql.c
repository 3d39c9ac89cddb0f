/*
 * mysql.c - the connector: opening and closing a catalog, its pool, the table of callbacks.
 */
#include "connectors/mysql/catalog.h"
#include "connectors/mysql/plan.h"
#include "connectors/mysql/write.h"

/* ---------------------------------------------------------------- the pool's hooks */

static Status hook_open(void *context, TribCall *call, void **connection, Error *err) {
    TribCatalog *self = context;
    Connection *opened;
    TRY(connection_open(self->settings, call, &opened, err));
    *connection = opened;
    return TRIB_OK;
}

static void hook_close(void *context, void *connection) {
    connection_close(connection);
}

static bool hook_alive(void *context, TribCall *call, void *connection, int64_t idle_ns) {
    return connection_alive(connection, idle_ns);
}

static bool hook_reset(void *context, void *connection) {
    return connection_reset(connection);
}

static void hook_abandon(void *context, void *connection) {
    connection_abandon(connection);
}

static const PoolHooks pool_hooks = {hook_open, hook_close, hook_alive, hook_reset, hook_abandon};

/* ---------------------------------------------------------------- catalogs */

Status catalog_take(TribCatalog *self, TribCall *call, Connection **out, Error *err) {
    void *taken;
    *out = NULL;
    if (!call || !call->transaction) {
        TRY(pool_take(self->pool, call, &taken, err));
        *out = taken;
        return TRIB_OK;
    }
    Connection *connection = call->transaction->connection;
    if (connection->broken || connection->executing) {
        error_set(err, ERR_CONNECTION_LOST,
                  "the connection of the transaction was lost: what it had changed is undone");
        return error_source(err, self->settings->catalog);
    }
    *out = connection;
    return TRIB_OK;
}

void catalog_return(TribCatalog *self, Connection *connection) {
    if (connection->in_transaction) return;
    if (connection->broken || connection->executing)
        pool_discard(self->pool, connection);
    else
        pool_give(self->pool, connection);
}

Status catalog_run(TribCatalog *self, TribCall *call,
                   Status (*work)(Connection *, Guard *, void *, Error *), void *context,
                   Error *err) {
    Connection *connection;
    Guard guard;
    TRY(catalog_take(self, call, &connection, err));
    Status status = guard_begin(&guard, self->watchdog, connection, call, err);
    if (status == TRIB_OK) {
        status = work(connection, &guard, context, err);
        if (status != TRIB_OK) error_source(err, self->settings->catalog);
        guard_end(&guard);
    }
    catalog_return(self, connection);
    return status;
}

static void catalog_close(TribCatalog *self) {
    if (!self) return;
    if (self->pool) pool_free(self->pool);
    watchdog_free(self->watchdog);
    settings_release(self->settings);
    heap_free(self);
}

static TribStatus catalog_open(const TribHost *host, const char *name, const TribOption *options,
                               uint32_t noptions, TribCatalog **out, TribError *err) {
    TribCatalog *self;
    *out = NULL;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->host = host;
    Status status = settings_new(host, name, options, noptions, &self->settings, err);
    if (status == TRIB_OK) {
        const Settings *settings = self->settings;
        self->watchdog = watchdog_new();
        self->pool = pool_new(&pool_hooks, self, settings->catalog, settings->max_connections,
                              settings->idle_timeout_ms);
        if (!self->watchdog || !self->pool) status = error_out_of_memory(err);
    }
    if (status != TRIB_OK) {
        catalog_close(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- the connector */

/* As ddl.c spells them. A row has 65,535 bytes: texts of the length that is offered leave room for others. */
static const TribType column_types[] = {
    {.id = TRIB_TYPE_BOOLEAN},
    {.id = TRIB_TYPE_TINYINT},
    {.id = TRIB_TYPE_SMALLINT},
    {.id = TRIB_TYPE_INTEGER},
    {.id = TRIB_TYPE_BIGINT},
    {.id = TRIB_TYPE_REAL},
    {.id = TRIB_TYPE_DOUBLE},
    {.id = TRIB_TYPE_DECIMAL},
    {.id = TRIB_TYPE_CHAR, .length = 255},
    {.id = TRIB_TYPE_VARCHAR, .length = 4000},
    {.id = TRIB_TYPE_VARBINARY},
    {.id = TRIB_TYPE_DATE},
    {.id = TRIB_TYPE_TIME, .precision = 6},
    {.id = TRIB_TYPE_TIMESTAMP, .precision = 6},
    {.id = TRIB_TYPE_UUID},
    {.id = TRIB_TYPE_UNKNOWN},
};

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "mysql",
    .summary = "MySQL, MariaDB and Aurora, over the binary protocol",
    .flags = TRIB_DDL_COMMITS,
    .library_reserve = 96 * 1024,
    .options = settings_options,
    .open = catalog_open,
    .close = catalog_close,
    .check = metadata_check,
    .list_schemas = metadata_schemas,
    .list_tables = metadata_tables,
    .describe_table = metadata_describe,
    .plan = plan_new,
    .plan_retain = plan_retain,
    .plan_release = plan_release,
    .splits = plan_splits,
    .scan_open = scan_open,
    .scan_next = scan_next,
    .scan_cancel = scan_cancel,
    .scan_stats = scan_stats,
    .scan_release = scan_release,
    .write_open = writer_open,
    .write_batch = writer_batch,
    .write_close = writer_close,
    .ddl = ddl_run,
    .tx_begin = transaction_begin,
    .tx_end = transaction_end,
    .tx_mark = transaction_mark,
    .modify = change_modify,
    .isolations =
        TRIB_READ_UNCOMMITTED | TRIB_READ_COMMITTED | TRIB_REPEATABLE_READ | TRIB_SERIALIZABLE,
    .default_isolation = TRIB_REPEATABLE_READ,
    .passthrough = metadata_passthrough,
    .list_references = metadata_references,
    .writable = transaction_writable,
    .column_types = column_types,
};

const TribConnector *trib_connector(void) {
    return &connector;
}
