/*
 * test_mysql_connections.c - connections of the MySQL connector: reuse, loss, cancellation, TLS, snapshots.
 *
 * Each test that looks at the server's list of processes connects as a user of its own. What needs a
 * server that may be shot, or one without a binary log, starts a throw-away one.
 */
#include "tests/connectors/test_mysql.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/base/os.h"

/* What does not end by itself, or not within a minute, has to end by then. */
#define PATIENCE_MS 20000

/* A user of its own on a server: its connections are those of the test. */
static Server as_user(Server *server, const char *name) {
    char sql[300];
    snprintf(sql, sizeof sql, "CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY 'secret'", name);
    admin_run(server, sql);
    snprintf(sql, sizeof sql, "GRANT ALL ON test_db.* TO %s@'%%'", name);
    admin_run(server, sql);
    Server other = *server;
    other.user = name;
    other.password = "secret";
    return other;
}

static int64_t user_number(const char *what, const char *user, const char *more) {
    char sql[300];
    snprintf(sql, sizeof sql, "SELECT %s FROM information_schema.processlist WHERE user = '%s' %s",
             what, user, more);
    return admin_number(&main_server, sql);
}

/* Until the server runs nothing for the user any more; ms. */
static int64_t await_silence(const char *user) {
    int64_t start = os_now_ns();
    while (os_now_ns() - start < INT64_C(30000000000)) {
        if (user_number("COUNT(*)", user, "AND command <> 'Sleep'") == 0) break;
        usleep(10000);
    }
    return (os_now_ns() - start) / 1000000;
}

/* What the server does for the user, for a message. */
static void user_doing(const char *user, char *out, size_t size) {
    char sql[300];
    snprintf(sql, sizeof sql,
             "SELECT CONCAT_WS(' ', COUNT(*), GROUP_CONCAT(id, ' ', command, ' ', state, ' ', "
             "COALESCE(info, ''))) FROM information_schema.processlist WHERE user = '%s' AND "
             "command <> 'Sleep'",
             user);
    admin_text(&main_server, sql, out, size);
}

/* The server has to stop what it does for the user. */
static void await_end(const Server *user, const char *table) {
    char doing[400];
    int64_t silent = await_silence(user->user);
    if (silent <= PATIENCE_MS) return;
    user_doing(user->user, doing, sizeof doing);
    fail_msg("%s: the server went on for %d ms, with %s", table, (int)silent, doing);
}

static void make_tables(Server *server) {
    admin_run(server, "CREATE DATABASE IF NOT EXISTS test_db");
    admin_run(server, "USE test_db"); /* tables of sequences stand in every schema, but in one */
    admin_run(server, "CREATE OR REPLACE TABLE test_db.few (id INT PRIMARY KEY, v INT)");
    admin_run(server, "INSERT INTO test_db.few VALUES (1, 10), (2, 20)");
    admin_run(server,
              "CREATE OR REPLACE VIEW test_db.endless AS SELECT a.seq AS id, b.seq AS v FROM "
              "seq_1_to_4000000000 a JOIN seq_1_to_4000000000 b");
    admin_run(server, "CREATE OR REPLACE VIEW test_db.sleepy AS SELECT 1 AS id, SLEEP(60) AS v");
}

/* ---------------------------------------------------------------- losing connections */

static void test_idle_connection_killed(void **state) {
    static const TribOption single[] = {OPTION("max_connections", "1")};
    Server user = as_user(&main_server, "idle_test");
    Fixture f;
    char sql[60];
    fixture_open(&f, &user, single, 1);
    EXPECT_COLUMN(&f, "few", "v", "10", "20");
    int64_t id = user_number("MAX(id)", user.user, "");
    assert_true(id > 0);
    EXPECT_COLUMN(&f, "few", "v", "10", "20");
    assert_int_equal(user_number("MAX(id)", user.user, ""), id); /* it was used again */
    snprintf(sql, sizeof sql, "KILL %lld", (long long)id);
    admin_run(&main_server, sql);
    while (user_number("COUNT(*)", user.user, "") > 0) usleep(10000);
    EXPECT_COLUMN(&f, "few", "v", "10", "20");
    assert_int_not_equal(user_number("MAX(id)", user.user, ""), id);
    fixture_close(&f);
}

static void test_killed_while_reading(void **state) {
    static const char *const kills[] = {"CONNECTION", "QUERY"};
    Server user = as_user(&main_server, "kill_test");
    for (size_t i = 0; i < COUNT_OF(kills); i++) {
        Fixture f;
        Steps steps;
        char sql[60];
        fixture_open(&f, &user, NULL, 0);
        Ask what = ask_column(&f, fixture_table(&f, "endless"), "v");
        steps_open(&steps, &f, &what);
        if (steps.status != TRIB_OK) fail_msg("%s", steps.err.message);
        assert_true(steps_next(&steps, &f));
        int64_t id = user_number("MAX(id)", user.user, "AND command <> 'Sleep'");
        snprintf(sql, sizeof sql, "KILL %s %lld", kills[i], (long long)id);
        admin_run(&main_server, sql);
        while (steps_next(&steps, &f)) continue;
        assert_int_not_equal(steps.status, TRIB_OK); /* never an end like any other */
        error_check(&steps.err, steps.status, "shop");
        assert_string_equal(steps.err.sqlstate, i == 0 ? "08S01" : "HY000");
        steps_close(&steps, &f);
        EXPECT_COLUMN(&f, "few", "v", "10", "20");
        fixture_close(&f);
    }
}

/* ---------------------------------------------------------------- cancellation */

typedef struct Canceller {
    Fixture *fixture;
    TribScan *scan; /* NULL: the call is cancelled */
    int64_t at_ns;
} Canceller;

static void *cancel_soon(void *context) {
    Canceller *self = context;
    usleep(300000);
    self->at_ns = os_now_ns();
    if (self->scan)
        self->fixture->subject.connector->scan_cancel(self->scan);
    else
        test_call_cancel(&self->fixture->call);
    return NULL;
}

/* While rows come, and while the server thinks: the call is back, and the server stops as well. */
static void test_cancel(void **state) {
    static const char *const tables[] = {"endless", "endless", "sleepy"};
    Server user = as_user(&main_server, "cancel_test");
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        Fixture f;
        Steps steps;
        pthread_t thread;
        fixture_open(&f, &user, NULL, 0);
        Ask what = ask_column(&f, fixture_table(&f, tables[i]), "v");
        Canceller canceller = {.fixture = &f};
        if (i > 0) pthread_create(&thread, NULL, cancel_soon, &canceller);
        steps_open(&steps, &f, &what);
        if (i == 0) {
            assert_int_equal(steps.status, TRIB_OK);
            canceller.scan = steps.scan;
            pthread_create(&thread, NULL, cancel_soon, &canceller);
        }
        while (steps.status == TRIB_OK && steps_next(&steps, &f)) continue;
        int64_t took = (os_now_ns() - canceller.at_ns) / 1000000;
        pthread_join(thread, NULL);
        assert_int_equal(steps.status, TRIB_CANCELLED);
        assert_string_equal(steps.err.sqlstate, "HY008");
        if (took > PATIENCE_MS) fail_msg("%s: cancelling took %d ms", tables[i], (int)took);
        steps_close(&steps, &f);
        await_end(&user, tables[i]);
        test_call_clear(&f.call);
        test_call_init(&f.call, &f.host);
        EXPECT_COLUMN(&f, "few", "v", "10", "20");
        fixture_close(&f);
    }
}

/* Shuts what this process has open to the server, but for the administrator's connection. */
static void cut_sockets(const Server *server) {
    struct sockaddr_in peer;
    for (int fd = 3; fd < 1024; fd++) {
        socklen_t size = sizeof peer;
        if (fd == mysql_get_socket(server->admin)) continue;
        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != (uint16_t)strtoul(server->port, NULL, 10))
            continue;
        shutdown(fd, SHUT_RDWR);
    }
}

/* A scan without end, of which the first batch is read. */
static void endless_begin(const Server *user, Fixture *f, Steps *steps) {
    fixture_open(f, user, NULL, 0);
    Ask what = ask_column(f, fixture_table(f, "endless"), "v");
    steps_open(steps, f, &what);
    assert_true(steps_next(steps, f));
}

/* The server has stopped, and the catalog can still be used. */
static void endless_ended(const Server *user, Fixture *f) {
    await_end(user, "endless");
    EXPECT_COLUMN(f, "few", "v", "10", "20");
    fixture_close(f);
}

/* Cancelled while the server waits for room to write, and what was under way is read until the cut: then
 * the close finds nothing unread, and TCP would tell the server nothing for a minute. */
static void test_cancel_full_buffers(void **state) {
    Server user = as_user(&main_server, "full_test");
    Fixture f;
    Steps steps;
    endless_begin(&user, &f, &steps);
    usleep(300000);            /* until the buffers of both sides are full */
    cut_sockets(&main_server); /* as cancelling does while rows are read */
    while (steps_next(&steps, &f)) continue;
    assert_int_not_equal(steps.status, TRIB_OK);
    steps_close(&steps, &f);
    endless_ended(&user, &f);
}

/* A scan left in the middle: its connection goes, its query is killed. */
static void test_left_early(void **state) {
    Server user = as_user(&main_server, "early_test");
    Fixture f;
    Steps steps;
    endless_begin(&user, &f, &steps);
    int64_t start = os_now_ns();
    steps_close(&steps, &f);
    assert_true((os_now_ns() - start) / 1000000 < PATIENCE_MS);
    endless_ended(&user, &f);
}

static void test_deadline(void **state) {
    Server user = as_user(&main_server, "deadline_test");
    Fixture f;
    Steps steps;
    fixture_open(&f, &user, NULL, 0);
    Ask what = ask_column(&f, fixture_table(&f, "sleepy"), "v");
    int64_t start = os_now_ns();
    f.call.call.deadline_ns = start + 500000000;
    steps_open(&steps, &f, &what);
    while (steps.status == TRIB_OK && steps_next(&steps, &f)) continue;
    assert_int_equal(steps.status, TRIB_TIMEOUT);
    assert_string_equal(steps.err.sqlstate, "HYT00");
    assert_true((os_now_ns() - start) / 1000000 < PATIENCE_MS);
    steps_close(&steps, &f);
    await_end(&user, "sleepy");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- one snapshot */

enum { ACCOUNTS = 4000, EACH = 100 };

typedef struct Writer {
    Server server;
    atomic_bool stop;
    atomic_int transfers;
} Writer;

/* Moves money between accounts: no snapshot may see it neither here nor there. */
static void *transfer_often(void *context) {
    Writer *self = context;
    uint64_t random = 3;
    char sql[200];
    server_connect(&self->server);
    while (!atomic_load(&self->stop)) {
        int from = (int)(random_next(&random) % ACCOUNTS),
            to = (int)(random_next(&random) % ACCOUNTS);
        admin_run(&self->server, "START TRANSACTION");
        snprintf(sql, sizeof sql, "UPDATE test_db.accounts SET v = v - 7 WHERE id = %d", from);
        admin_run(&self->server, sql);
        snprintf(sql, sizeof sql, "UPDATE test_db.accounts SET v = v + 7 WHERE id = %d", to);
        admin_run(&self->server, sql);
        admin_run(&self->server, "COMMIT");
        atomic_fetch_add(&self->transfers, 1);
    }
    mysql_close(self->server.admin);
    return NULL;
}

static void make_accounts(Server *server) {
    char sql[200];
    admin_run(server, "CREATE OR REPLACE TABLE test_db.accounts (id INT PRIMARY KEY, v INT) "
                      "ENGINE=InnoDB");
    snprintf(sql, sizeof sql, "INSERT INTO test_db.accounts SELECT seq - 1, %d FROM seq_1_to_%d",
             EACH, ACCOUNTS);
    admin_run(server, sql);
    admin_run(server, "ANALYZE TABLE test_db.accounts");
}

/* Reads all accounts in up to four parts; the number of parts. */
static uint32_t read_accounts(Fixture *f, bool consistent) {
    Answer answer;
    Ask what = ask_column(f, fixture_table(f, "accounts"), "v");
    int64_t sum = 0;
    what.wanted = 4;
    ask(&f->subject, f->arena, &what, &answer);
    if (answer.status != TRIB_OK) fail_msg("%s", answer.err.message);
    assert_int_equal(answer.rows.count, ACCOUNTS);
    for (size_t r = 0; r < answer.rows.count; r++) sum += rows_at(&answer.rows, r)[1].as.integer;
    if (consistent) assert_int_equal(sum, ACCOUNTS * EACH);
    return answer.nsplits;
}

static void test_snapshots(void **state) {
    static const TribOption parts[] = {OPTION("split_rows", "500"), OPTION("max_connections", "8")};
    Server poor = as_user(&main_server, "poor_test"); /* no lock: equal positions or one part */
    make_accounts(&main_server);
    Writer writer = {.server = main_server};
    pthread_t thread;
    Fixture rich, other;
    uint32_t several = 0;
    fixture_open(&rich, &main_server, parts, 2);
    fixture_open(&other, &poor, parts, 2);
    assert_int_equal(read_accounts(&rich, true), 4); /* nobody writes: all four */
    assert_int_equal(read_accounts(&other, true), 4);
    pthread_create(&thread, NULL, transfer_often, &writer);
    while (atomic_load(&writer.transfers) < 20) usleep(1000);
    /* Until there was something to be inconsistent about. */
    for (int i = 0; i < 12 || (i < 500 && (several == 0 || atomic_load(&writer.transfers) <= 40));
         i++) {
        several += read_accounts(&rich, true) > 1;
        uint32_t made = read_accounts(&other, true);
        assert_true(made == 1 || made == 4);
    }
    assert_true(atomic_load(&writer.transfers) > 40);
    assert_true(several > 0);
    atomic_store(&writer.stop, true);
    pthread_join(thread, NULL);
    fixture_close(&other);
    fixture_close(&rich);
}

/* ---------------------------------------------------------------- a server of our own: shot, without binary log */

Server spare; /* TLS, no binary log; shot by the last test that uses it */
static char spare_address[64];
bool spare_ready;

/* An address of this machine that is not loopback; "" = none. */
static void find_address(void) {
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) return;
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET) continue;
        struct sockaddr_in address;
        memcpy(&address, at->ifa_addr, sizeof address);
        if (ntohl(address.sin_addr.s_addr) >> 24 == 127) continue;
        inet_ntop(AF_INET, &address.sin_addr, spare_address, sizeof spare_address);
        break;
    }
    freeifaddrs(list);
}

static const char certificates[] =
    "set -e; cd '%s'; mkdir -p tls; cd tls; exec >log 2>&1; "
    "for ca in ca other; do openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $ca.key -out "
    "$ca.pem -subj /CN=$ca; done; "
    "openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=db.example; "
    "printf 'subjectAltName=DNS:db.example,IP:%s\\n' >names; "
    "openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "
    "names -out server.pem; chmod 644 *";

static int spare_setup(void **state) {
    static char folder[] = "/tmp/tributary-tls-XXXXXX";
    static char texts[2][100];
    char command[1200];
    find_address();
    if (!mkdtemp(folder)) return -1;
    snprintf(command, sizeof command, certificates, folder,
             spare_address[0] ? spare_address : "127.0.0.9");
    if (system(command) != 0) return -1;
    snprintf(command, sizeof command, "chmod 755 %s %s/tls", folder, folder);
    if (system(command) != 0) return -1;
    snprintf(texts[0], sizeof texts[0], "--ssl-cert=%s/tls/server.pem", folder);
    snprintf(texts[1], sizeof texts[1], "--ssl-key=%s/tls/server.key", folder);
    const char *const arguments[] = {texts[0], texts[1], "--innodb-flush-log-at-trx-commit=0",
                                     NULL};
    spare_ready = server_start(&spare, arguments);
    *state = folder;
    if (!spare_ready) return 0;
    server_connect(&spare);
    make_tables(&spare);
    return 0;
}

static int spare_teardown(void **state) {
    char command[200];
    server_stop(&spare);
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return system(command);
}

/* With neither a binary log nor the right to lock, one table is one connection's; relaxed is not. */
static void test_no_common_snapshot(void **state) {
    static const TribOption parts[] = {OPTION("split_rows", "500"), OPTION("max_connections", "8"),
                                       OPTION("parallel", "relaxed")};
    Fixture f;
    if (!spare_ready) skip();
    make_accounts(&spare);
    Server poor = as_user(&spare, "poor_test");
    fixture_open(&f, &poor, parts, 2);
    assert_int_equal(read_accounts(&f, true), 1);
    fixture_close(&f);
    fixture_open(&f, &spare, parts, 2); /* may lock */
    assert_int_equal(read_accounts(&f, true), 4);
    fixture_close(&f);
    fixture_open(&f, &poor, parts, 3);
    assert_int_equal(read_accounts(&f, false), 4);
    fixture_close(&f);
}

/* Connects with these options; the SQLSTATE, "" = it worked. said: message and hint. */
static const char *try_connect(const TribOption *options, uint32_t count, char *said, size_t size) {
    static char sqlstate[8];
    Fixture f;
    TribError err;
    char text[256];
    fixture_open(&f, &spare, options, count);
    TribStatus status =
        f.subject.connector->check(f.subject.catalog, &f.call.call, text, sizeof text, &err);
    snprintf(sqlstate, sizeof sqlstate, "%s", status == TRIB_OK ? "" : err.sqlstate);
    snprintf(said, size, "%s | %s", status == TRIB_OK ? text : err.message,
             status == TRIB_OK ? "" : err.hint);
    fixture_close(&f);
    return sqlstate;
}

static void test_tls(void **state) {
    static const char *const states[] = {"08001", "", "08001", "", "", "08001", "08001"};
    char ca[160], other[160], said[2000];
    if (!spare_ready || !spare_address[0]) skip();
    snprintf(ca, sizeof ca, "%s/tls/ca.pem", (const char *)*state);
    snprintf(other, sizeof other, "%s/tls/other.pem", (const char *)*state);
    const TribOption tries[][3] = {
        /* Not local: verified, and nobody vouches for it. */
        {OPTION("host", spare_address)},
        {OPTION("host", spare_address), OPTION("tls_ca", ca)},
        {OPTION("host", spare_address), OPTION("tls_ca", other)},
        {OPTION("host", spare_address), OPTION("tls", "required")},
        {OPTION("host", spare_address), OPTION("tls", "off")},
        /* The certificate is good, but it is not this host's. */
        {OPTION("host", "127.0.0.1"), OPTION("tls_ca", ca)},
        {OPTION("host", "127.0.0.1"), OPTION("tls_ca", ca), OPTION("tls", "verify")},
    };
    for (size_t i = 0; i < COUNT_OF(tries); i++) {
        uint32_t count = 0;
        while (count < 3 && tries[i][count].name) count++;
        const char *sqlstate = try_connect(tries[i], count, said, sizeof said);
        if (strcmp(sqlstate, states[i]) != 0)
            fail_msg("try %zu: SQLSTATE \"%s\", expected \"%s\": %s", i, sqlstate, states[i], said);
        if (states[i][0] && !strstr(said, "tls_ca")) fail_msg("try %zu says %s", i, said);
    }
}

/* Shot in the middle of a result: an error, whatever stood in the buffers. */
static void test_server_shot(void **state) {
    Fixture f;
    Steps steps;
    if (!spare_ready) skip();
    fixture_open(&f, &spare, NULL, 0);
    Ask what = ask_column(&f, fixture_table(&f, "endless"), "v");
    steps_open(&steps, &f, &what);
    assert_int_equal(steps.status, TRIB_OK);
    for (int i = 0; i < 5; i++) assert_true(steps_next(&steps, &f));
    server_kill(&spare);
    while (steps_next(&steps, &f)) continue;
    if (steps.status != TRIB_LOST || strcmp(steps.err.sqlstate, "08S01") != 0)
        fail_msg("status %d, %s: %s", steps.status, steps.err.sqlstate, steps.err.message);
    steps_close(&steps, &f);
    char text[100];
    TribError err;
    TribStatus status =
        f.subject.connector->check(f.subject.catalog, &f.call.call, text, sizeof text, &err);
    assert_int_equal(status, TRIB_CONNECT);
    assert_string_equal(err.sqlstate, "08001");
    fixture_close(&f);
}

/* ---------------------------------------------------------------- a server that only wants the password */

typedef struct Thief {
    int listening;
    bool offers_tls;
    SSL_CTX *tls;
    char port[8];
    _Atomic int64_t plain_bytes;  /* that came beside a request for TLS */
    _Atomic int64_t secret_bytes; /* that came inside TLS */
    atomic_bool asked_for_tls;
} Thief;

static size_t thief_greeting(const Thief *self, uint8_t *out) {
    static const char salt[] = "abcdefghijklmnopqrst";
    uint32_t flags = UINT32_C(0x00aff7df) | (self->offers_tls ? 0x800U : 0);
    size_t n = 4;
    if (!self->offers_tls) flags &= ~0x800U;
    out[n++] = 10;
    memcpy(out + n, "5.5.5-10.11.0-MariaDB", 22);
    n += 22;
    memset(out + n, 0, 4);
    out[n] = 9;
    n += 4;
    memcpy(out + n, salt, 8);
    n += 8;
    out[n++] = 0;
    out[n++] = (uint8_t)flags;
    out[n++] = (uint8_t)(flags >> 8);
    out[n++] = 45;
    out[n++] = 2;
    out[n++] = 0;
    out[n++] = (uint8_t)(flags >> 16);
    out[n++] = (uint8_t)(flags >> 24);
    out[n++] = 21;
    memset(out + n, 0, 10);
    n += 10;
    memcpy(out + n, salt + 8, 13);
    n += 13;
    memcpy(out + n, "mysql_native_password", 22);
    n += 22;
    out[0] = (uint8_t)(n - 4);
    out[1] = out[2] = out[3] = 0;
    return n;
}

static void thief_listen_inside(Thief *self, int fd) {
    char buffer[4096];
    SSL *tls = SSL_new(self->tls);
    SSL_set_fd(tls, fd);
    if (SSL_accept(tls) == 1) {
        int got;
        while ((got = SSL_read(tls, buffer, sizeof buffer)) > 0)
            atomic_fetch_add(&self->secret_bytes, got);
    }
    SSL_free(tls);
}

static void *thief_run(void *context) {
    Thief *self = context;
    uint8_t buffer[4096];
    int fd = accept(self->listening, NULL, NULL);
    if (fd < 0) return NULL;
    size_t n = thief_greeting(self, buffer);
    if (send(fd, buffer, n, MSG_NOSIGNAL) == (ssize_t)n) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        bool request = got == 36 && buffer[0] == 32 && (buffer[5] & 8);
        atomic_store(&self->asked_for_tls, request);
        if (request && self->offers_tls)
            thief_listen_inside(self, fd);
        else if (got > 0)
            atomic_fetch_add(&self->plain_bytes, got);
    }
    close(fd);
    return NULL;
}

static void thief_open(Thief *self) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    self->listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(self->listening, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(self->listening, 4), 0);
    assert_int_equal(getsockname(self->listening, (struct sockaddr *)&address, &size), 0);
    snprintf(self->port, sizeof self->port, "%d", ntohs(address.sin_port));
}

/* Neither a server without TLS nor one with a certificate of its own making gets a byte of credentials. */
static void test_password_thief(void **state) {
    char certificate[160], key[160];
    snprintf(certificate, sizeof certificate, "%s/tls/other.pem", (const char *)*state);
    snprintf(key, sizeof key, "%s/tls/other.key", (const char *)*state);
    for (int offers = 0; offers < 2; offers++) {
        Thief thief = {.offers_tls = offers};
        pthread_t thread;
        Fixture f;
        TribError err;
        char text[256];
        thief.tls = SSL_CTX_new(TLS_server_method());
        assert_int_equal(SSL_CTX_use_certificate_file(thief.tls, certificate, SSL_FILETYPE_PEM), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(thief.tls, key, SSL_FILETYPE_PEM), 1);
        thief_open(&thief);
        Server server = {.host = "127.0.0.1", .user = "canary-user", .password = "canary-password"};
        memcpy(server.port, thief.port, sizeof server.port);
        const TribOption verify[] = {OPTION("tls", "verify")};
        pthread_create(&thread, NULL, thief_run, &thief);
        fixture_open(&f, &server, verify, 1);
        TribStatus status =
            f.subject.connector->check(f.subject.catalog, &f.call.call, text, sizeof text, &err);
        pthread_join(thread, NULL);
        assert_int_equal(status, TRIB_CONNECT);
        assert_string_equal(err.sqlstate, "08001");
        assert_null(strstr(err.message, "canary-password"));
        assert_int_equal(atomic_load(&thief.plain_bytes), 0);
        assert_int_equal(atomic_load(&thief.secret_bytes), 0);
        assert_true(!offers || atomic_load(&thief.asked_for_tls));
        fixture_close(&f);
        close(thief.listening);
        SSL_CTX_free(thief.tls);
    }
}

int test_mysql_connections(void) {
    static const struct CMUnitTest shared[] = {
        cmocka_unit_test(test_idle_connection_killed),
        cmocka_unit_test(test_killed_while_reading),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_full_buffers),
        cmocka_unit_test(test_left_early),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_snapshots),
    };
    make_tables(&main_server);
    return cmocka_run_group_tests_name("connections", shared, NULL, NULL);
}

int test_mysql_spare(void) {
    static const struct CMUnitTest own[] = {
        cmocka_unit_test(test_session_state),      cmocka_unit_test(test_packet_limit),
        cmocka_unit_test(test_no_common_snapshot), cmocka_unit_test(test_tls),
        cmocka_unit_test(test_password_thief),     cmocka_unit_test(test_server_shot),
    };
    return cmocka_run_group_tests_name("a server of its own", own, spare_setup, spare_teardown);
}
