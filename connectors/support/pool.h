/*
 * pool.h - a bounded pool of connections to one source.
 *
 * A connection is whatever the hooks open: the pool sees a pointer. At most `max` exist at a time; a
 * caller beyond that waits until one comes back, its call is cancelled or its deadline passes. Idle
 * connections are handed out newest first and closed after `idle_ms`. Every function is safe from any
 * thread; hooks run without the pool's lock held. After a fork the child starts with an empty pool and
 * the parent's connections are abandoned, never used or closed politely.
 */
#ifndef TRIB_SUPPORT_POOL_H
#define TRIB_SUPPORT_POOL_H

#include "connectors/tributary_connector.h"
#include "engine/base/error.h"

typedef struct Pool Pool;

typedef struct PoolHooks {
    Status (*open)(void *context, TribCall *call, void **connection, Error *err);
    void (*close)(void *context, void *connection);
    /* Is an idle connection still good? Called before it is handed out again; NULL = always. May do I/O. */
    bool (*alive)(void *context, TribCall *call, void *connection, int64_t idle_ns);
    /* Brings a connection back to the known state before it becomes idle; false = close it. NULL = nothing to do. */
    bool (*reset)(void *context, void *connection);
    /* In a forked child: forgets the parent's connection without speaking to the peer. NULL = leak it. */
    void (*abandon)(void *context, void *connection);
} PoolHooks;

/* `catalog` is named in errors; hooks, context and catalog must outlive the pool. NULL when memory is exhausted. */
Pool *pool_new(const PoolHooks *hooks, void *context, const char *catalog, uint32_t max,
               int64_t idle_ms);
/* Closes the idle connections; all others must have come back. */
void pool_free(Pool *self);
/* A connection of one's own until pool_give or pool_discard. Errors: what open says; HYT00 naming
 * max_connections when none came free in time; HY008. `call` may be NULL: no deadline. */
Status pool_take(Pool *self, TribCall *call, void **connection, Error *err) WARN_UNUSED;
/* Like pool_take, but *connection = NULL at once when all are in use. */
Status pool_try(Pool *self, TribCall *call, void **connection, Error *err) WARN_UNUSED;
void pool_give(Pool *self, void *connection);    /* resets it and keeps it for the next one */
void pool_discard(Pool *self, void *connection); /* closes it */
/* The connection is closed by somebody else or already: only its place is given back. */
void pool_forget(Pool *self, void *connection);
uint32_t pool_busy(Pool *self);
uint32_t pool_max(const Pool *self);

#endif
