/*
 * dbc.h - connections: a session of the engine, attributes, and the statements and descriptors made
 * from it.
 */
#ifndef TRIB_DRIVER_DBC_H
#define TRIB_DRIVER_DBC_H

#include <pthread.h>

#include "driver/env.h"
#include "driver/sqltype.h"
#include "engine/tributary.h"

typedef enum DbcState { DBC_ALLOCATED, DBC_BROWSING, DBC_CONNECTED } DbcState; /* C2, C3, C4-C6 */

/* Attributes of statements that have no place in a descriptor. Those of a connection are the
 * defaults of its new statements. */
typedef struct StmtOptions {
    SQLULEN async_enable, concurrency, cursor_type, scrollable, sensitivity, keyset_size,
        max_length, max_rows, metadata_id, noscan, query_timeout, retrieve_data, simulate_cursor,
        use_bookmarks, enable_auto_ipd, rowset_size;
} StmtOptions;

/* What may be set before connecting, and what pooling's reset restores. */
typedef struct DbcOptions {
    SQLULEN access_mode, autocommit, isolation, login_timeout, connection_timeout, odbc_cursors,
        packet_size, translate_option, trace;
    SQLPOINTER quiet_mode;
} DbcOptions;

/* Guarded by its lock. What is marked fixed does not change while statements exist and is read by
 * them without the lock. */
struct Dbc {
    Handle base;
    Env *env;         /* fixed */
    Dbc *next;        /* in the environment's list, under its lock */
    uint8_t state;    /* DbcState */
    Session *session; /* fixed */
    Arena *arena;     /* of the connection: texts below */
    Stmt *stmts;
    pthread_mutex_t names_lock; /* guards the list of those whose cursors have names, and */
    Stmt *named;
    uint32_t transactions; /* that have ended, and */
    uint64_t outcomes;     /* how: a bit for each, the last one lowest; 1: committed */
    Desc *descs;           /* explicitly allocated ones */
    DbcOptions options, connect_options;
    StmtOptions defaults, connect_defaults;
    char *catalog; /* set before connecting; NULL */
    Str dsn, driver, server;
    SizeDefaults sizes;         /* fixed: how columns are reported */
    bool writes_refused;        /* ReadOnly=true */
    struct Attributes *browsed; /* what SQLBrowseConnect has been told so far; in arena */
};

SQLRETURN dbc_new(Env *env, SQLHANDLE *out);
/* Under no lock; locks what it needs. HY010 while connected. */
SQLRETURN dbc_free_handle(SQLHANDLE handle);
SQLRETURN dbc_disconnect(Dbc *self);

/* Values: integers as they come, or text. */
SQLRETURN dbc_set_attribute(Dbc *self, SQLINTEGER attribute, SQLPOINTER value, Str text);
SQLRETURN dbc_get_attribute(Dbc *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER *length,
                            const TextOut *text);
bool dbc_attribute_is_text(SQLINTEGER attribute);
/* Of the default catalog; all false where there is none. */
void dbc_transaction_facts(Dbc *self, TransactionFacts *out);
SQLRETURN dbc_end_transaction(Dbc *self, SQLSMALLINT completion);
/* Transactions as cursors ask for them, on any thread: one has ended; the number of the one that is open or comes
 * next; was that of a number committed (false also of one that is long over), or is it not over? */
void dbc_transaction_ended(Dbc *self, bool committed);
uint32_t dbc_transaction_number(Dbc *self);
bool dbc_transaction_over(Dbc *self, uint32_t number, bool *committed);
SQLRETURN env_end_transaction(Env *self, SQLSMALLINT completion);
SQLRETURN dbc_native_sql(Dbc *self, Str sql, const TextOut *out);
SQLRETURN dbc_functions(Dbc *self, SQLUSMALLINT id, SQLUSMALLINT *out);
/* For the engine's warnings while a connection's call is under way; context is the Handle. */
void handle_warning_sink(void *context, const Error *warning);

static inline bool dbc_odbc2(const Dbc *self) {
    return env_odbc2(self->env);
}

/* connect.c */
SQLRETURN dbc_connect(Dbc *self, Str dsn, Str user, Str password);
SQLRETURN dbc_driver_connect(Dbc *self, Str text, SQLUSMALLINT completion, const TextOut *out);
/* SQL_NEED_DATA: out names the catalogs that may be chosen (C3). */
SQLRETURN dbc_browse_connect(Dbc *self, Str text, const TextOut *out);

/* info_table.c */
SQLRETURN dbc_info(Dbc *self, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity,
                   SQLSMALLINT *length, bool wide);

#endif
