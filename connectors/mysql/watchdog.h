/*
 * watchdog.h - shuts sockets down when a deadline passes.
 *
 * The client library waits inside poll() and recv() with time-outs per read, not per statement; a peer
 * that sends a byte now and then would hold it for ever. A Watch names a socket and a deadline; when
 * the deadline passes before watch_remove, the socket is shut down, which ends every wait on it. One
 * thread per Watchdog, started with the first watch, ended after ten idle seconds. Any thread.
 */
#ifndef TRIB_MYSQL_WATCHDOG_H
#define TRIB_MYSQL_WATCHDOG_H

#include <stdatomic.h>

#include "engine/base/error.h"

typedef struct Watchdog Watchdog;

/* In the caller's storage; must stay put between add and remove. */
typedef struct Watch {
    struct Watch *next, *previous;
    int64_t deadline_ns; /* CLOCK_MONOTONIC */
    int fd;
    atomic_bool fired;
    bool linked;
} Watch;

Watchdog *watchdog_new(void);       /* NULL when memory is exhausted */
void watchdog_free(Watchdog *self); /* no watch may be left; ends the thread */
/* Errors: no thread could be started. */
Status watch_add(Watchdog *self, Watch *watch, int fd, int64_t deadline_ns, Error *err) WARN_UNUSED;
/* After it the socket is safe from the watchdog and may be closed. */
void watch_remove(Watchdog *self, Watch *watch);

/* Shuts a socket down, both ways; the close that follows resets the connection. Without that, if all that
 * had arrived was read and the server waits for room to write, no segment would tell it for a minute. */
void socket_cut(int fd);

#endif
