/*
 * catalog.h - the state of one opened MySQL catalog, shared by the connector's files.
 *
 * Immutable after open but for the pool and the watchdog, which lock for themselves. Any thread.
 */
#ifndef TRIB_MYSQL_CATALOG_H
#define TRIB_MYSQL_CATALOG_H

#include "connectors/mysql/connection.h"
#include "connectors/support/call.h"
#include "connectors/support/pool.h"

struct TribCatalog {
    const TribHost *host;
    Settings *settings;
    Pool *pool;
    Watchdog *watchdog;
};

/* Runs `work` with a connection (catalog_take), guarded by the call; gives it back or discards it. */
Status catalog_run(TribCatalog *self, TribCall *call,
                   Status (*work)(Connection *, Guard *, void *, Error *), void *context,
                   Error *err) WARN_UNUSED;
/* A connection on behalf of a call: of the pool, or that of the call's transaction. */
Status catalog_take(TribCatalog *self, TribCall *call, Connection **out, Error *err) WARN_UNUSED;
/* Back to the pool, or closed if it is broken or in the middle of something. A transaction's stays with it. */
void catalog_return(TribCatalog *self, Connection *connection);

/* metadata.c: the callbacks of the connector. */
TribStatus metadata_check(TribCatalog *self, TribCall *call, char *text, size_t size,
                          TribError *err);
TribStatus metadata_schemas(TribCatalog *self, TribCall *call, TribNames *names, TribError *err);
TribStatus metadata_tables(TribCatalog *self, TribCall *call, const char *schema, TribNames *names,
                           TribError *err);
TribStatus metadata_describe(TribCatalog *self, TribCall *call, const char *schema,
                             const char *table, TribNames *names, TribError *err);
/* reference.c */
TribStatus metadata_references(TribCatalog *self, TribCall *call, const char *schema,
                               const char *table, bool incoming, TribNames *names, TribError *err);
/* passthrough.c */
TribStatus metadata_passthrough(TribCatalog *self, TribCall *call, const char *text,
                                TribNames *names, TribError *err);

#endif
