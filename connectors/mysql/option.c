/*
 * option.c - the option table and its parsing.
 *
 * The table drives checking, redaction and documentation in the host; here its values become the
 * Settings that everything else reads. No I/O.
 */
#include "connectors/mysql/option.h"

#include <string.h>

#include "connectors/support/options.h"

#define GIB (INT64_C(1) << 30)

const TribOptionDef settings_options[] = {
    {"host", TRIB_OPTION_STRING, "127.0.0.1", NULL, 0, 0, false, false, "server's name or address"},
    {"port", TRIB_OPTION_INTEGER, "3306", NULL, 1, 65535, false, false, "TCP port"},
    {"socket", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "path of a Unix socket; used instead of host and port"},
    {"user", TRIB_OPTION_STRING, NULL, NULL, 0, 0, true, false, "account to log in with"},
    {"password", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, true, "its password"},
    {"database", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "the one schema to show; all that the account may see if absent"},
    {"tls", TRIB_OPTION_CHOICE, "auto", "auto|off|preferred|required|verify", 0, 0, false, false,
     "auto: verify the certificate, except for sockets and loopback, where TLS is used if offered; "
     "preferred: if "
     "offered, unverified; required: always, unverified; verify: always, certificate and host name "
     "checked"},
    {"tls_ca", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "file of trusted certificates (PEM); the system's if absent"},
    {"tls_cert", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, "client certificate (PEM)"},
    {"tls_key", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false,
     "key of the client certificate (PEM)"},
    {"parallel", TRIB_OPTION_CHOICE, "consistent", "consistent|relaxed|off", 0, 0, false, false,
     "reading one table over several connections. consistent: only where all of them see one "
     "snapshot; relaxed: each "
     "its own snapshot; off: one connection"},
    {"max_connections", TRIB_OPTION_INTEGER, "4", NULL, 1, 256, false, false,
     "most connections at a time"},
    {"split_rows", TRIB_OPTION_INTEGER, "200000", NULL, 1, INT64_C(1000000000000), false, false,
     "fewest rows (estimated) worth a connection of their own"},
    {"connect_timeout", TRIB_OPTION_DURATION_MS, "10000", NULL, 1, 3600000, false, false,
     "time to connect and log in"},
    {"read_timeout", TRIB_OPTION_DURATION_MS, "600000", NULL, 1000, 86400000, false, false,
     "longest silence of a server that works on a statement; a dead network is noticed after 30 s"},
    {"idle_timeout", TRIB_OPTION_DURATION_MS, "60000", NULL, 0, 86400000, false, false,
     "how long an unused connection is kept"},
    {"zero_dates", TRIB_OPTION_CHOICE, "null", "null|error|varchar", 0, 0, false, false,
     "dates like 0000-00-00 and 2024-00-08: read as NULL with a warning, refused, or all dates as "
     "text"},
    {"decimal", TRIB_OPTION_CHOICE, "error", "error|overflow_varchar|round", 0, 0, false, false,
     "DECIMAL of more than 38 digits: refused when used, read as text, or rounded to 38 digits"},
    {"tinyint1", TRIB_OPTION_CHOICE, "tinyint", "tinyint|boolean", 0, 0, false, false,
     "what TINYINT(1) is"},
    {"time", TRIB_OPTION_CHOICE, "interval", "interval|varchar|time", 0, 0, false, false,
     ("TIME (-838:59:59 to 838:59:59) as interval day to second, as text, or as time of day "
      "(others "
      "are refused), which is the default with mode=readwrite")},
    {"hide", TRIB_OPTION_LIST, NULL, NULL, 0, 0, false, false,
     "patterns of schemas (\"tmp_*\") and tables (\"shop.audit*\") that are not shown"},
    {"system_schemas", TRIB_OPTION_BOOLEAN, "false", NULL, 0, 0, false, false,
     "show mysql, sys, information_schema and performance_schema"},
    {"mode", TRIB_OPTION_CHOICE, "readonly", "readonly|readwrite", 0, 0, false, false,
     "readwrite: tables may be made and changed"},
    {"bulk", TRIB_OPTION_BOOLEAN, "true", NULL, 0, 0, false, false,
     "send many rows as one bulk operation where the server knows them (MariaDB); false: as "
     "INSERTs "
     "of many rows, for proxies that do not know them"},
    {"lock_timeout", TRIB_OPTION_DURATION_MS, "50000", NULL, 1000, 3600000, false, false,
     "mode=readwrite: how long to wait for a lock that somebody else holds, in whole seconds"},
    {"max_packet", TRIB_OPTION_BYTES, "268435456", NULL, 1048576, GIB, false, false,
     "largest row that is accepted"},
    {NULL, TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, false, NULL},
};

static bool host_is_local(const char *server) {
    return strcmp(server, "localhost") == 0 || strncmp(server, "127.", 4) == 0 ||
           strcmp(server, "::1") == 0;
}

/* Copies an option's text; absent and empty are NULL. */
static Status text_option(const Options *options, Arena *arena, const char *name, const char **out,
                          Error *err) {
    const char *text = option_text(options, name);
    *out = NULL;
    if (!text || !*text) return TRIB_OK;
    TRY_ALLOC(*out, arena_strdup(arena, text), err);
    return TRIB_OK;
}

static Status hide_option(Settings *self, const Options *options, Error *err) {
    TRY(option_list(options, self->arena, "hide", &self->hide, &self->nhide, err));
    for (uint32_t i = 0; i < self->nhide; i++) {
        char *copy;
        TRY_ALLOC(copy, str_dup(self->arena, self->hide[i]), err);
        self->hide[i].data = copy;
    }
    return TRIB_OK;
}

static Status settings_fill(Settings *self, const Options *options, Error *err) {
    Arena *arena = self->arena;
    TRY(text_option(options, arena, "host", &self->server, err));
    TRY(text_option(options, arena, "socket", &self->socket, err));
    TRY(text_option(options, arena, "user", &self->user, err));
    TRY(text_option(options, arena, "password", &self->password, err));
    TRY(text_option(options, arena, "database", &self->database, err));
    TRY(text_option(options, arena, "tls_ca", &self->tls_ca, err));
    TRY(text_option(options, arena, "tls_cert", &self->tls_cert, err));
    TRY(text_option(options, arena, "tls_key", &self->tls_key, err));
    TRY(hide_option(self, options, err));
    if (!self->server) self->server = "127.0.0.1";
    self->port = (uint32_t)option_integer(options, "port", 3306);
    self->local = self->socket || host_is_local(self->server);
    self->tls = (TlsMode)option_choice(options, "tls");
    if (self->tls == TLS_AUTO)
        self->tls = self->local ? (self->tls_ca ? TLS_VERIFY : TLS_PREFERRED) : TLS_VERIFY;
    if (self->tls_key && !self->tls_cert) {
        return option_error(options, "tls_key", err,
                            "tls_key needs tls_cert, the certificate that it belongs to");
    }
    self->parallel = (ParallelMode)option_choice(options, "parallel");
    self->zero_dates = (ZeroDates)option_choice(options, "zero_dates");
    self->decimals = (WideDecimals)option_choice(options, "decimal");
    self->time = (TimeMode)option_choice(options, "time");
    self->tinyint1_boolean = option_choice(options, "tinyint1") == 1;
    self->system_schemas = option_boolean(options, "system_schemas");
    self->max_connections = (uint32_t)option_integer(options, "max_connections", 4);
    self->split_rows = option_integer(options, "split_rows", 200000);
    self->connect_timeout_ms = option_integer(options, "connect_timeout", 10000);
    self->read_timeout_ms = option_integer(options, "read_timeout", 600000);
    self->idle_timeout_ms = option_integer(options, "idle_timeout", 60000);
    self->max_packet = option_integer(options, "max_packet", 268435456);
    self->readwrite = option_choice(options, "mode") == 1;
    /* Programs that make tables mean the time of day. */
    if (self->readwrite && !option_given(options, "time")) self->time = TIME_AS_TIME;
    self->bulk = option_boolean(options, "bulk");
    self->lock_timeout_ms = option_integer(options, "lock_timeout", 50000);
    return TRIB_OK;
}

Status settings_new(const TribHost *host, const char *catalog, const TribOption *options,
                    uint32_t count, Settings **out, Error *err) {
    Options parsed;
    TRY(options_init(&parsed, catalog, settings_options, options, count, err));
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Settings *self = ARENA_NEW(arena, Settings);
    const char *name = arena_strdup(arena, catalog);
    if (!self || !name) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->host = host;
    self->catalog = name;
    atomic_init(&self->references, 1);
    Status status = settings_fill(self, &parsed, err);
    if (status != TRIB_OK) {
        settings_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

Settings *settings_retain(Settings *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
    return self;
}

void settings_release(Settings *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    if (self->password) explicit_bzero((char *)self->password, strlen(self->password));
    arena_free(self->arena);
}

static bool schema_is_system(Str schema) {
    static const char *const names[] = {"mysql", "sys", "information_schema", "performance_schema"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (str_equal_fold(schema, str_from(names[i]))) return true;
    }
    return false;
}

bool settings_shows(const Settings *self, Str schema, const Str *table) {
    if (self->database && !str_equal(schema, str_from(self->database))) return false;
    if (!self->system_schemas && !self->database && schema_is_system(schema)) return false;
    for (uint32_t i = 0; i < self->nhide; i++) {
        Str pattern = self->hide[i];
        const char *dot = memchr(pattern.data, '.', pattern.len);
        if (!dot) {
            if (name_matches(pattern, schema)) return false;
            continue;
        }
        size_t before = (size_t)(dot - pattern.data);
        if (table && name_matches((Str){pattern.data, before}, schema) &&
            name_matches((Str){dot + 1, pattern.len - before - 1}, *table)) {
            return false;
        }
    }
    return true;
}
