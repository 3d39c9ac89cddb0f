/*
 * connection.c - opening, resetting, interrupting and closing connections.
 *
 * Opening happens on a thread of its own (ConnectJob, shared by two references): name resolution and
 * the handshake of the client library cannot be interrupted, and a server may stretch the handshake for
 * ever by sending it byte by byte. The caller waits for the job, its deadline or cancellation; if it
 * leaves first, the job closes what it may still get.
 *
 * The session state is set after the handshake and after every reset: character set by the API, a known
 * sql_mode, UTC, no limit on rows, sort keys long enough for what is pushed down.
 *
 * What the library must not do: read files for the server (LOCAL INFILE), send a password in clear
 * over an unverified channel, ask questions on the terminal (dialog plug-in), reconnect by itself.
 */
#include "connectors/mysql/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <errmsg.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connectors/mysql/failure.h"
#include "connectors/support/call.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

#define PING_AFTER_NS  INT64_C(30000000000)
#define KILL_TIMEOUT_S 5
#define KILLS_AT_ONCE  16
#define DEAD_PEER_MS   30000

#define NUMBER_TEXT_(number) #number
#define NUMBER_TEXT(number)  NUMBER_TEXT_(number)

static const char SESSION_STATE[] =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00', autocommit = 1, "
    "net_write_timeout = 3600,"
    " max_sort_length = " NUMBER_TEXT(
        SORT_KEY_BYTES) ", group_concat_max_len = 67108864, sql_select_limit = "
                        "18446744073709551615,"
                        " sql_big_selects = 1, sql_auto_is_null = 0, sql_safe_updates = 0";

/* ---------------------------------------------------------------- the library */

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_ready;

static void library_init(void) {
    struct sigaction before;
    bool known = sigaction(SIGPIPE, NULL, &before) == 0;
    library_ready = mysql_library_init(0, NULL, NULL) == 0;
    if (known) sigaction(SIGPIPE, &before, NULL);
}

Status library_prepare(Error *err) {
    pthread_once(&library_once, library_init);
    if (library_ready) return TRIB_OK;
    return error_set(err, ERR_OUT_OF_MEMORY, "the MySQL client library could not be initialised");
}

void pipe_shield(PipeShield *self) {
    sigset_t pipe_only, pending;
    sigset_t before;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    self->was_pending = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    self->blocked =
        pthread_sigmask(SIG_BLOCK, &pipe_only, &before) == 0 && sigismember(&before, SIGPIPE) == 0;
}

void pipe_unshield(PipeShield *self) {
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!self->was_pending) {
        struct timespec none = {0, 0};
        while (sigtimedwait(&pipe_only, NULL, &none) == -1 && errno == EINTR) {
        }
    }
    if (self->blocked) pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

/* ---------------------------------------------------------------- options of one connection */

static void option_number(MYSQL *mysql, enum mysql_option option, unsigned int value) {
    mysql_optionsv(mysql, option, &value);
}

static void option_flag(MYSQL *mysql, enum mysql_option option, my_bool value) {
    mysql_optionsv(mysql, option, &value);
}

static void tls_options(MYSQL *mysql, const Settings *settings) {
    if (settings->tls == TLS_OFF) return;
    mysql_ssl_set(mysql, settings->tls_key, settings->tls_cert, settings->tls_ca, NULL, NULL);
    mysql_optionsv(mysql, MARIADB_OPT_TLS_VERSION, (void *)"TLSv1.2,TLSv1.3");
    if (settings->tls != TLS_PREFERRED) option_flag(mysql, MYSQL_OPT_SSL_ENFORCE, 1);
    option_flag(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, settings->tls == TLS_VERIFY);
}

static void common_options(MYSQL *mysql, const Settings *settings, unsigned int connect_s,
                           unsigned int read_s) {
    unsigned int protocol = settings->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    unsigned long max_packet = (unsigned long)settings->max_packet;
    option_number(mysql, MYSQL_OPT_PROTOCOL, protocol);
    option_number(mysql, MYSQL_OPT_CONNECT_TIMEOUT, connect_s);
    option_number(mysql, MYSQL_OPT_READ_TIMEOUT, read_s);
    option_number(mysql, MYSQL_OPT_WRITE_TIMEOUT, read_s);
    option_number(mysql, MYSQL_OPT_LOCAL_INFILE, 0);
    option_flag(mysql, MYSQL_OPT_RECONNECT, 0);
    mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "tributary");
    /* A clear-text password only where the server has proved who it is; never a plug-in that prompts. */
    const char *plugins =
        settings->tls == TLS_VERIFY
            ? "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,"
              "parsec,auth_gssapi_client,mysql_clear_password"
            : "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,"
              "parsec,auth_gssapi_client";
    mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, plugins);
    tls_options(mysql, settings);
}

/* ---------------------------------------------------------------- after the handshake */

/* A dead network shows within DEAD_PEER_MS, however long the server may think. */
static void socket_options(Connection *self) {
    if (self->settings->socket) return;
    int on = 1, idle_s = 10, interval_s = 5, count = 4, user_ms = DEAD_PEER_MS;
    setsockopt(self->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
    setsockopt(self->fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
    setsockopt(self->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof user_ms);
}

static void peer_address(Connection *self) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    self->peer[0] = '\0';
    if (self->settings->socket || getpeername(self->fd, (struct sockaddr *)&address, &size) != 0)
        return;
    const void *bytes = NULL;
    if (address.ss_family == AF_INET) bytes = &((struct sockaddr_in *)&address)->sin_addr;
    if (address.ss_family == AF_INET6) bytes = &((struct sockaddr_in6 *)&address)->sin6_addr;
    if (!bytes || !inet_ntop(address.ss_family, bytes, self->peer, sizeof self->peer))
        self->peer[0] = '\0';
}

static Status visit_id(void *context, const QueryRow *row, bool *stop, Error *err) {
    Connection *self = context;
    int64_t id = 0;
    if (row->count > 0 && row->values[0].data && int64_parse(row->values[0], &id) == NUMBER_OK) {
        self->id_proven = (unsigned long)id == self->id;
    }
    return TRIB_OK;
}

static Status session_state(Connection *self, Error *err) {
    if (mysql_set_character_set(self->mysql, "utf8mb4") != 0)
        return connection_fail(self, NULL, NULL, err);
    if (!self->settings->readwrite) return connection_run(self, NULL, SESSION_STATE, err);
    char text[sizeof SESSION_STATE + 100];
    int64_t seconds = (self->settings->lock_timeout_ms + 999) / 1000;
    text_format(text, sizeof text,
                "%s, innodb_lock_wait_timeout = %" PRId64 ", lock_wait_timeout = %" PRId64,
                SESSION_STATE, seconds, seconds);
    return connection_run(self, NULL, text, err);
}

static void connection_facts(Connection *self) {
    const char *version = mysql_get_server_info(self->mysql);
    self->version = (uint32_t)mysql_get_server_version(self->mysql);
    self->mariadb = version && strcasestr(version, "mariadb") != NULL;
    self->id = mysql_thread_id(self->mysql);
    unsigned long more = 0;
    mariadb_get_infov(self->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &more);
    self->bulk = self->settings->bulk && self->mariadb &&
                 (more & (unsigned long)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
    self->fd = (int)mysql_get_socket(self->mysql);
}

/* ---------------------------------------------------------------- opening */

/* Blocking; `peer` (may be NULL) replaces the host's name. No session state yet. */
static Status connect_now(Settings *settings, const char *peer, unsigned int connect_s,
                          unsigned int read_s, Connection **out, Error *err) {
    Connection *self;
    *out = NULL;
    TRY(library_prepare(err));
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->settings = settings_retain(settings);
    self->fd = -1;
    self->mysql = mysql_init(NULL);
    if (!self->mysql) {
        connection_close(self);
        return error_out_of_memory(err);
    }
    common_options(self->mysql, settings, connect_s, read_s);
    const char *server = settings->socket ? NULL : (peer && *peer ? peer : settings->server);
    /* Multiple statements stay off: what we send is one statement, whatever it says. An UPDATE counts the rows that
     * it finds, also those that have the new values already. */
    if (!mysql_real_connect(self->mysql, server, settings->user,
                            settings->password ? settings->password : "", NULL, settings->port,
                            settings->socket, settings->readwrite ? CLIENT_FOUND_ROWS : 0)) {
        failure_connect(settings, self->mysql, err);
        connection_close(self);
        return err->status;
    }
    connection_facts(self);
    if (settings->tls != TLS_OFF && settings->tls != TLS_PREFERRED &&
        !mysql_get_ssl_cipher(self->mysql)) {
        error_set(err, ERR_CONNECT_FAILED,
                  "the server does not speak TLS, which this catalog requires");
        error_hint(err, "tls=off would send data and credentials in clear");
        connection_close(self);
        return err->status;
    }
    socket_options(self);
    peer_address(self);
    *out = self;
    return TRIB_OK;
}

typedef struct ConnectJob {
    atomic_uint references;
    Settings *settings;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done, left, cancelled;
    Connection *connection;
    Status status;
    Error error;
} ConnectJob;

static void job_release(ConnectJob *job) {
    if (atomic_fetch_sub_explicit(&job->references, 1, memory_order_acq_rel) != 1) return;
    connection_close(job->connection);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->lock);
    settings_release(job->settings);
    heap_free(job);
}

static Status connect_fully(Settings *settings, Connection **out, Error *err) {
    unsigned int connect_s = (unsigned int)((settings->connect_timeout_ms + 999) / 1000);
    unsigned int read_s = (unsigned int)((settings->read_timeout_ms + 999) / 1000);
    TRY(connect_now(settings, NULL, connect_s, read_s, out, err));
    Status status = session_state(*out, err);
    if (status == TRIB_OK) {
        status = connection_query(*out, NULL, STR("SELECT CONNECTION_ID()"), visit_id, *out, err);
    }
    if (status != TRIB_OK) {
        connection_close(*out);
        *out = NULL;
    }
    return status;
}

static void *job_run(void *context) {
    ConnectJob *job = context;
    Connection *connection = NULL;
    Error error = {0};
    Status status = connect_fully(job->settings, &connection, &error);
    pthread_mutex_lock(&job->lock);
    job->status = status;
    job->error = error;
    job->connection = connection;
    job->done = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->lock);
    job_release(job);
    return NULL;
}

static void job_cancel(void *context) {
    ConnectJob *job = context;
    pthread_mutex_lock(&job->lock);
    job->cancelled = true;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->lock);
}

static Status job_new(Settings *settings, ConnectJob **out, Error *err) {
    ConnectJob *job;
    pthread_condattr_t attributes;
    TRY_ALLOC(job, heap_alloc(sizeof *job), err);
    atomic_init(&job->references, 2);
    job->settings = settings_retain(settings);
    pthread_mutex_init(&job->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&job->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    *out = job;
    return TRIB_OK;
}

/* Waits for the job; the result moves out. */
static Status job_wait(ConnectJob *job, TribCall *call, int64_t deadline_ns, Connection **out,
                       Error *err) {
    struct timespec at = {.tv_sec = deadline_ns / 1000000000, .tv_nsec = deadline_ns % 1000000000};
    bool late = false;
    pthread_mutex_lock(&job->lock);
    while (!job->done && !job->cancelled && !late) {
        late = pthread_cond_timedwait(&job->changed, &job->lock, &at) == ETIMEDOUT;
    }
    bool done = job->done, cancelled = job->cancelled;
    Status status = job->status;
    if (done) {
        *out = job->connection;
        job->connection = NULL;
        *err = job->error;
    }
    pthread_mutex_unlock(&job->lock);
    if (done) return status;
    if (cancelled || call_cancelled(call))
        return error_set(err, ERR_CANCELLED, "operation canceled");
    const Settings *settings = job->settings;
    if (call_remaining_ns(call) == 0) {
        return error_set(err, ERR_TIMEOUT, "time ran out while connecting to %s",
                         settings->socket ? settings->socket : settings->server);
    }
    return error_set(
        err, ERR_CONNECT_TIMEOUT, "no connection to %s within %" PRId64 " ms (connect_timeout)",
        settings->socket ? settings->socket : settings->server, settings->connect_timeout_ms);
}

Status connection_open(Settings *settings, TribCall *call, Connection **out, Error *err) {
    ConnectJob *job = NULL;
    pthread_t thread;
    *out = NULL;
    TRY(call_check(call, settings->catalog, err));
    TRY(job_new(settings, &job, err));
    Status status = os_thread_start(&thread, "trib-my-conn", job_run, job, err);
    if (status != TRIB_OK) {
        job_release(job);
        job_release(job);
        return status;
    }
    pthread_detach(thread);
    int64_t limit_ns = settings->connect_timeout_ms * 1000000,
            remaining_ns = call_remaining_ns(call);
    int64_t deadline_ns = os_now_ns() + (remaining_ns < limit_ns ? remaining_ns : limit_ns);
    void *handle = call && call->on_cancel ? call->on_cancel(call, job_cancel, job) : NULL;
    status = job_wait(job, call, deadline_ns, out, err);
    if (handle) call->off_cancel(call, handle);
    job_release(job);
    if (status != TRIB_OK) error_source(err, settings->catalog);
    return status;
}

/* ---------------------------------------------------------------- KILL */

typedef struct KillJob {
    Settings *settings;
    unsigned long id;
    char peer[PEER_MAX];
} KillJob;

static atomic_uint kills_running;

static void kill_connection(const KillJob *job) {
    Connection *side;
    Error ignored;
    /* A certificate names a host, not an address: where it is verified we go by the name, and see
     * whether that led to the same machine. */
    const char *peer = job->settings->tls == TLS_VERIFY ? NULL : job->peer;
    if (connect_now(job->settings, peer, KILL_TIMEOUT_S, KILL_TIMEOUT_S, &side, &ignored) !=
        TRIB_OK)
        return;
    if (strcmp(side->peer, job->peer) == 0) {
        char sql[64];
        int length = snprintf(sql, sizeof sql, "KILL CONNECTION %lu", job->id);
        /* "Unknown thread" is the usual answer: the server noticed the cut by itself. */
        if (length > 0) mysql_real_query(side->mysql, sql, (unsigned long)length);
    }
    connection_close(side);
}

static void *kill_run(void *context) {
    KillJob *job = context;
    kill_connection(job);
    settings_release(job->settings);
    heap_free(job);
    atomic_fetch_sub_explicit(&kills_running, 1, memory_order_relaxed);
    return NULL;
}

/* Best effort: the server also ends the statement when it next writes to the cut connection. */
static void kill_later(const Connection *connection) {
    if (!connection->id_proven) return;
    if (atomic_fetch_add_explicit(&kills_running, 1, memory_order_relaxed) < KILLS_AT_ONCE) {
        KillJob *job = heap_alloc(sizeof *job);
        pthread_t thread;
        Error ignored;
        if (job) {
            job->settings = settings_retain(connection->settings);
            job->id = connection->id;
            memcpy(job->peer, connection->peer, sizeof job->peer);
            if (os_thread_start(&thread, "trib-my-kill", kill_run, job, &ignored) == TRIB_OK) {
                pthread_detach(thread);
                return;
            }
            settings_release(job->settings);
            heap_free(job);
        }
    }
    atomic_fetch_sub_explicit(&kills_running, 1, memory_order_relaxed);
}

/* ---------------------------------------------------------------- closing and reuse */

void connection_interrupt(Connection *self) {
    if (self->fd >= 0) socket_cut(self->fd);
}

void connection_close(Connection *self) {
    if (!self) return;
    if (self->mysql) {
        PipeShield shield;
        pipe_shield(&shield);
        if (self->broken || self->executing) connection_interrupt(self);
        if (self->executing) kill_later(self);
        mysql_close(self->mysql);
        pipe_unshield(&shield);
    }
    settings_release(self->settings);
    heap_free(self);
}

bool connection_reset(Connection *self) {
    if (self->broken || self->executing) return false;
    PipeShield shield;
    Error ignored;
    pipe_shield(&shield);
    bool ok = mysql_reset_connection(self->mysql) == 0 && session_state(self, &ignored) == TRIB_OK;
    pipe_unshield(&shield);
    return ok && !self->broken;
}

bool connection_alive(Connection *self, int64_t idle_ns) {
    struct pollfd socket = {.fd = self->fd, .events = POLLIN};
    if (self->broken || poll(&socket, 1, 0) != 0)
        return false; /* data or an end that nobody asked for */
    if (idle_ns < PING_AFTER_NS) return true;
    PipeShield shield;
    pipe_shield(&shield);
    bool ok = mysql_ping(self->mysql) == 0;
    pipe_unshield(&shield);
    return ok;
}

void connection_abandon(Connection *self) {
    if (self->fd >= 0) close(self->fd);
}

/* ---------------------------------------------------------------- guards */

static void guard_cancel(void *context) {
    Guard *self = context;
    atomic_store_explicit(&self->cancelled, true, memory_order_release);
    socket_cut(self->fd);
}

Status guard_begin(Guard *self, Watchdog *watchdog, Connection *connection, TribCall *call,
                   Error *err) {
    memset(self, 0, sizeof *self);
    self->watchdog = watchdog;
    self->connection = connection;
    self->call = call;
    self->fd = connection->fd;
    atomic_init(&self->cancelled, false);
    if (!call) return TRIB_OK;
    if (call->deadline_ns != INT64_MAX) {
        TRY(watch_add(watchdog, &self->watch, connection->fd, call->deadline_ns, err));
    }
    if (call->on_cancel) self->handle = call->on_cancel(call, guard_cancel, self);
    return TRIB_OK;
}

void guard_end(Guard *self) {
    if (self->handle) self->call->off_cancel(self->call, self->handle);
    self->handle = NULL;
    if (self->watchdog) watch_remove(self->watchdog, &self->watch);
    if (self->connection && guard_fired(self, NULL)) self->connection->broken = true;
    self->connection = NULL;
}

bool guard_fired(Guard *self, Error *err) {
    bool cancelled = atomic_load_explicit(&self->cancelled, memory_order_acquire);
    bool late = atomic_load_explicit(&self->watch.fired, memory_order_acquire);
    if (!cancelled && !late) return false;
    if (self->connection) self->connection->broken = true;
    if (err && cancelled)
        error_set(err, ERR_CANCELLED, "operation canceled");
    else if (err)
        error_set(err, ERR_TIMEOUT, "timeout expired");
    return true;
}

Status connection_fail(Connection *self, MYSQL_STMT *statement, Guard *guard, Error *err) {
    bool lost = failure_of(self->mysql, statement, err);
    if (lost) self->broken = true;
    if (guard && guard_fired(guard, err)) self->broken = true;
    self->suspect |= self->in_transaction;
    return error_source(err, self->settings->catalog);
}

/* ---------------------------------------------------------------- queries over the text protocol */

Status connection_run(Connection *self, Guard *guard, const char *sql, Error *err) {
    PipeShield shield;
    pipe_shield(&shield);
    self->executing = true;
    int failed = mysql_real_query(self->mysql, sql, (unsigned long)strlen(sql));
    self->executing = false;
    pipe_unshield(&shield);
    if (failed) return connection_fail(self, NULL, guard, err);
    if (mysql_field_count(self->mysql) == 0) return TRIB_OK;
    self->broken = true;
    return error_set(err, ERR_IO, "the server answered a statement without result with rows");
}

typedef struct TextQuery {
    Connection *connection;
    Guard *guard;
    MYSQL_RES *result;
    Status (*visit)(void *, const QueryRow *, bool *, Error *);
    void *context;
} TextQuery;

static Status text_rows(TextQuery *query, Str *values, Error *err) {
    Connection *self = query->connection;
    uint32_t count = mysql_num_fields(query->result);
    bool stop = false;
    while (!stop) {
        MYSQL_ROW row = mysql_fetch_row(query->result);
        if (!row) {
            if (mysql_errno(self->mysql) != 0)
                return connection_fail(self, NULL, query->guard, err);
            return TRIB_OK;
        }
        const unsigned long *lengths = mysql_fetch_lengths(query->result);
        for (uint32_t i = 0; i < count; i++) values[i] = (Str){row[i], row[i] ? lengths[i] : 0};
        TRY(query->visit(query->context, &(QueryRow){count, values}, &stop, err));
    }
    if (!self->in_transaction) self->broken = true; /* rows are left unread */
    return TRIB_OK;
}

Status connection_query(Connection *self, Guard *guard, Str sql,
                        Status (*visit)(void *context, const QueryRow *row, bool *stop, Error *err),
                        void *context, Error *err) {
    PipeShield shield;
    pipe_shield(&shield);
    self->executing = true;
    int failed = mysql_real_query(self->mysql, sql.data, (unsigned long)sql.len);
    MYSQL_RES *result = failed ? NULL : mysql_use_result(self->mysql);
    Status status = TRIB_OK;
    if (!result) {
        self->executing = false;
        status = connection_fail(self, NULL, guard, err);
    } else {
        Str *values = heap_alloc((size_t)mysql_num_fields(result) * sizeof *values + 1);
        TextQuery query = {self, guard, result, visit, context};
        status = values ? text_rows(&query, values, err) : error_out_of_memory(err);
        heap_free(values);
        if (status != TRIB_OK && !self->in_transaction) self->broken = true;
        if (self->broken)
            connection_interrupt(self); /* so that freeing the result drains nothing */
        else
            self->executing = false;
        mysql_free_result(result);
    }
    pipe_unshield(&shield);
    return status;
}

static void quote_with(Buf *out, Str text, char quote) {
    buf_char(out, quote);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote) buf_char(out, quote);
        buf_char(out, text.data[i]);
    }
    buf_char(out, quote);
}

void quote_literal(Buf *out, Str text) {
    quote_with(out, text, '\'');
}

void quote_identifier(Buf *out, Str name) {
    quote_with(out, name, '`');
}
