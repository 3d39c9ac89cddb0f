/*
 * option.h - the options of a MySQL or MariaDB catalog, parsed once and then immutable.
 *
 * Settings are reference-counted, because a thread that still tries to connect may outlive the catalog
 * that asked for it. Any thread may read them.
 */
#ifndef TRIB_MYSQL_OPTION_H
#define TRIB_MYSQL_OPTION_H

#include <stdatomic.h>

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

typedef enum { TLS_AUTO, TLS_OFF, TLS_PREFERRED, TLS_REQUIRED, TLS_VERIFY } TlsMode;
typedef enum { PARALLEL_CONSISTENT, PARALLEL_RELAXED, PARALLEL_OFF } ParallelMode;
typedef enum { ZERO_DATES_NULL, ZERO_DATES_ERROR, ZERO_DATES_VARCHAR } ZeroDates;
typedef enum { DECIMAL_AS_ERROR, DECIMAL_AS_VARCHAR, DECIMAL_AS_ROUNDED } WideDecimals;
typedef enum { TIME_AS_INTERVAL, TIME_AS_VARCHAR, TIME_AS_TIME } TimeMode;

typedef struct Settings {
    atomic_uint references;
    Arena *arena;
    const TribHost *host;
    const char *catalog;
    const char *server, *socket, *user, *password, *database; /* NULL = not given */
    const char *tls_ca, *tls_cert, *tls_key;
    uint32_t port;
    TlsMode tls; /* never AUTO: resolved by the host's name */
    bool local;  /* socket or loopback */
    ParallelMode parallel;
    ZeroDates zero_dates;
    WideDecimals decimals;
    TimeMode time;
    bool tinyint1_boolean, system_schemas;
    bool readwrite, bulk;
    uint32_t max_connections;
    int64_t split_rows, connect_timeout_ms, read_timeout_ms, idle_timeout_ms, max_packet,
        lock_timeout_ms;
    Str *hide;
    uint32_t nhide;
} Settings;

/* The option table, ending with name == NULL. */
extern const TribOptionDef settings_options[];

/* One reference. Errors: CONFIGURATION naming the option and its place. */
Status settings_new(const TribHost *host, const char *catalog, const TribOption *options,
                    uint32_t count, Settings **out, Error *err) WARN_UNUSED;
Settings *settings_retain(Settings *self);
void settings_release(Settings *self); /* the password is wiped before the memory goes */
/* May the catalog show this schema, or (table not NULL) this table? */
bool settings_shows(const Settings *self, Str schema, const Str *table);

#endif
