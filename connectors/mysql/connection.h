/*
 * connection.h - connections to a MySQL or MariaDB server: opening, session state, interruption,
 * simple queries, errors.
 *
 * A Connection belongs to one thread at a time. What it waits for is interrupted by shutting its socket
 * down: by a Guard (the call was cancelled, its deadline passed) or by connection_interrupt. After an
 * interruption, and after every error that may have left the protocol in the middle of something,
 * `broken` is set and the connection must be discarded, never reused.
 */
#ifndef TRIB_MYSQL_CONNECTION_H
#define TRIB_MYSQL_CONNECTION_H

#include <mysql.h>

#include "connectors/mysql/option.h"
#include "connectors/mysql/watchdog.h"

#define SORT_KEY_BYTES \
    4096 /* max_sort_length of our sessions: longer keys would be cut in an ORDER BY */
#define PEER_MAX 64

typedef struct Connection {
    MYSQL *mysql;
    Settings *settings; /* retained */
    unsigned long id;   /* of the server's thread */
    bool id_proven;     /* the server itself says so: no proxy in between renumbers connections */
    bool mariadb;
    uint32_t version; /* 101119 = 10.11.19 */
    int fd;
    char peer[PEER_MAX]; /* the address spoken to; "" for a Unix socket */
    bool broken;
    bool executing; /* a statement may be running in the server */
    /* In a transaction (write.h), which keeps the connection: it does not go back to the pool. */
    bool in_transaction;
    bool suspect;        /* the server reported an error since: it may have ended the transaction */
    bool bulk;           /* the server takes arrays of rows */
    uint64_t max_packet; /* the server's max_allowed_packet; 0 = not asked yet */
} Connection;

/* What interrupts the work of a call on one connection. In the caller's storage, does not move. */
typedef struct Guard {
    Watchdog *watchdog;
    Connection *connection;
    TribCall *call;
    void *handle;
    Watch watch;
    int fd;
    atomic_bool cancelled;
} Guard;

/* The client library, once per process: its initialisation changes SIGPIPE, which is put back. */
Status library_prepare(Error *err) WARN_UNUSED;

/*
 * Connects, logs in and sets the session state, within connect_timeout, the deadline and cancellation of
 * `call` (NULL = neither). The work is done on a thread of its own, because name resolution and the
 * handshake cannot be interrupted: when time is up that thread is left to end by itself.
 */
Status connection_open(Settings *settings, TribCall *call, Connection **out,
                       Error *err) WARN_UNUSED;
/* Closes. If a statement may still be running, the socket is cut first and KILL CONNECTION follows on
 * a connection of its own, on a thread of its own, without waiting for it. NULL is allowed. */
void connection_close(Connection *self);
/* Back to the known state: COM_RESET_CONNECTION and the session variables. false: close it. */
bool connection_reset(Connection *self);
/* Is an idle connection still open? Looks at the socket; asks the server after a longer pause. */
bool connection_alive(Connection *self, int64_t idle_ns);
/* In a forked child: the descriptor goes, the parent's session stays. */
void connection_abandon(Connection *self);
/* Ends every wait on the socket. Any thread, while the connection is not closed; does not block. */
void connection_interrupt(Connection *self);

Status guard_begin(Guard *self, Watchdog *watchdog, Connection *connection, TribCall *call,
                   Error *err) WARN_UNUSED;
void guard_end(Guard *self);
/* Did the guard end the work? Then *err says why (HY008, HYT00), and the connection is broken. */
bool guard_fired(Guard *self, Error *err);

/*
 * The error that the library reports for `statement` (NULL: for the connection). Marks the connection
 * broken where it is. `guard` (may be NULL) decides first. Never TRIB_OK, whatever the library says.
 */
Status connection_fail(Connection *self, MYSQL_STMT *statement, Guard *guard, Error *err);

/* A statement without result. An error of one that was sent, and whose answer never came, leaves the connection
 * broken. */
Status connection_run(Connection *self, Guard *guard, const char *sql, Error *err) WARN_UNUSED;

typedef struct QueryRow {
    uint32_t count;
    const Str *values; /* data == NULL: SQL NULL */
} QueryRow;

/* Runs a query over the text protocol (metadata) and hands on its rows as they come. The visitor may
 * set *stop; its error ends the query. The row is valid during the visit. Rows that are left cost the connection,
 * but in a transaction, where they are read to their end. */
Status connection_query(Connection *self, Guard *guard, Str sql,
                        Status (*visit)(void *context, const QueryRow *row, bool *stop, Error *err),
                        void *context, Error *err) WARN_UNUSED;

/* A string literal; the session is in NO_BACKSLASH_ESCAPES mode. `text` must be valid UTF-8. */
void quote_literal(Buf *out, Str text);
/* An identifier in backquotes. */
void quote_identifier(Buf *out, Str name);

/* Socket writes under TLS raise SIGPIPE: it stays blocked, and none is left pending. */
typedef struct PipeShield {
    bool blocked, was_pending;
} PipeShield;
void pipe_shield(PipeShield *self);
void pipe_unshield(PipeShield *self);

#endif
