/*
 * mysql_support.c - servers, catalogs and scans for the tests of the MySQL connector.
 *
 * A throw-away server has a data folder of its own under /tmp, made by mariadb-install-db, and listens
 * on all addresses of this machine, so that one that is not loopback can be tried.
 */
#include "tests/connectors/mysql_support.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "connectors/support/sql_text.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- servers */

Server main_server;

static const char *text_or(const char *text, const char *other) {
    return text ? text : other;
}

bool main_server_open(void) {
    main_server.host = text_or(os_env("TRIB_TEST_MYSQL_HOST"), "127.0.0.1");
    main_server.user = os_env("TRIB_TEST_MYSQL_USER");
    main_server.password = text_or(os_env("TRIB_TEST_MYSQL_PASSWORD"), "");
    snprintf(main_server.port, sizeof main_server.port, "%s",
             text_or(os_env("TRIB_TEST_MYSQL_PORT"), "3306"));
    if (!main_server.user) return false;
    server_connect(&main_server);
    admin_run(&main_server, "DROP DATABASE IF EXISTS test_db");
    admin_run(&main_server, "CREATE DATABASE test_db CHARACTER SET utf8mb4");
    return true;
}

void server_connect(Server *self) {
    self->admin = mysql_init(NULL);
    mysql_optionsv(self->admin, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(self->admin, self->host, self->user, self->password, NULL,
                            (unsigned)strtoul(self->port, NULL, 10), NULL, 0))
        fail_msg("%s:%s: %s", self->host, self->port, mysql_error(self->admin));
    admin_run(self, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
}

void admin_run(Server *self, const char *sql) {
    if (mysql_query(self->admin, sql) != 0) fail_msg("%s\n  in %s", mysql_error(self->admin), sql);
    MYSQL_RES *result = mysql_store_result(self->admin);
    if (result) mysql_free_result(result);
}

void admin_text(Server *self, const char *sql, char *out, size_t size) {
    if (mysql_query(self->admin, sql) != 0) fail_msg("%s\n  in %s", mysql_error(self->admin), sql);
    MYSQL_RES *result = mysql_store_result(self->admin);
    assert_non_null(result);
    MYSQL_ROW row = mysql_fetch_row(result);
    snprintf(out, size, "%s", row && row[0] ? row[0] : "");
    mysql_free_result(result);
}

int64_t admin_number(Server *self, const char *sql) {
    char text[32];
    admin_text(self, sql, text, sizeof text);
    return text[0] ? strtoll(text, NULL, 10) : -1;
}

/* A port that is free, below those that the system gives to whoever connects meanwhile. */
static int free_port(void) {
    enum { FIRST = 10000, COUNT = 20000 };
    static unsigned taken;
    for (unsigned i = 0; i < COUNT; i++) {
        int port = FIRST + (int)(((unsigned)getpid() * 37 + taken++) % COUNT);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        int fault = bind(fd, (struct sockaddr *)&address, sizeof address);
        close(fd);
        if (fault == 0) return port;
    }
    fail_msg("no port is free");
    return 0;
}

static void server_exec(const Server *self, const char *const *more) {
    enum { MOST = 32 };
    char texts[5][200];
    const char *arguments[MOST] = {"mariadbd", "--no-defaults", "--user=mysql",
                                   "--bind-address=0.0.0.0"};
    snprintf(texts[0], sizeof texts[0], "--datadir=%s/data", self->folder);
    snprintf(texts[1], sizeof texts[1], "--socket=%s/s", self->folder);
    snprintf(texts[2], sizeof texts[2], "--pid-file=%s/pid", self->folder);
    snprintf(texts[3], sizeof texts[3], "--port=%s", self->port);
    snprintf(texts[4], sizeof texts[4], "%s/log", self->folder);
    size_t count = 4;
    for (size_t i = 0; i < 4; i++) arguments[count++] = texts[i];
    for (; *more && count + 1 < MOST; more++) arguments[count++] = *more;
    arguments[count] = NULL;
    int log = open(texts[4], O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    execvp("mariadbd", (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* Waits until the socket answers; the account that the tests use is made over it. */
static bool server_await(Server *self) {
    char socket_path[160];
    snprintf(socket_path, sizeof socket_path, "%s/s", self->folder);
    for (int i = 0; i < 600; i++) {
        MYSQL *root = mysql_init(NULL);
        if (mysql_real_connect(root, NULL, "root", "", NULL, 0, socket_path, 0)) {
            bool made = mysql_query(root, "CREATE USER IF NOT EXISTS trib@'%' IDENTIFIED BY "
                                          "'trib-secret'") == 0 &&
                        mysql_query(root, "GRANT ALL ON *.* TO trib@'%' WITH GRANT OPTION") == 0;
            mysql_close(root);
            return made;
        }
        mysql_close(root);
        if (waitpid(self->pid, NULL, WNOHANG) == self->pid) {
            self->pid = 0;
            return false;
        }
        usleep(100000);
    }
    return false;
}

bool server_start(Server *self, const char *const *arguments) {
    char command[900];
    *self = (Server){.host = "127.0.0.1", .user = "trib", .password = "trib-secret"};
    if (system("command -v mariadbd >/dev/null && command -v mariadb-install-db >/dev/null") != 0)
        return false;
    snprintf(self->folder, sizeof self->folder, "/tmp/tributary-server-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(command, sizeof command,
             "chmod 755 %s && chown mysql %s 2>/dev/null; mariadb-install-db --no-defaults "
             "--user=mysql --datadir=%s/data --auth-root-authentication-method=normal "
             "--skip-test-db >%s/install 2>&1",
             self->folder, self->folder, self->folder, self->folder);
    if (system(command) != 0) fail_msg("mariadb-install-db failed, see %s/install", self->folder);
    for (int attempt = 0; attempt < 3; attempt++) { /* others look for ports too */
        snprintf(self->port, sizeof self->port, "%d", free_port());
        self->pid = fork();
        if (self->pid == 0) server_exec(self, arguments);
        if (server_await(self)) return true;
        server_kill(self);
    }
    fail_msg("the server did not start, see %s/log", self->folder);
    return false;
}

void server_kill(Server *self) {
    if (self->pid > 0) {
        kill(self->pid, SIGKILL);
        waitpid(self->pid, NULL, 0);
    }
    self->pid = 0;
}

void server_stop(Server *self) {
    char command[200];
    if (self->admin) mysql_close(self->admin);
    self->admin = NULL;
    server_kill(self);
    if (!self->folder[0]) return;
    snprintf(command, sizeof command, "rm -rf '%s'", self->folder);
    if (system(command) != 0) fprintf(stderr, "%s could not be removed\n", self->folder);
    self->folder[0] = '\0';
}

/* ---------------------------------------------------------------- catalogs */

const TribConnector *mysql_connector(void) {
    static const TribConnector *connector;
    if (connector) return connector;
    void *object = dlopen(text_or(os_env("TRIB_TEST_MYSQL_CONNECTOR"), ".libs/trib_mysql.so"),
                          RTLD_NOW | RTLD_LOCAL);
    if (!object) fail_msg("%s", dlerror());
    TribConnectorEntry entry;
    *(void **)&entry = dlsym(object, "trib_connector");
    assert_non_null(entry);
    connector = entry();
    return connector;
}

void fixture_open(Fixture *self, const Server *server, const TribOption *more, uint32_t nmore) {
    TribOption options[16] = {OPTION("host", server->host), OPTION("port", server->port),
                              OPTION("user", server->user), OPTION("password", server->password)};
    uint32_t count = 4;
    TribError err;
    memset(self, 0, sizeof *self);
    for (uint32_t i = 0; i < nmore; i++) {
        uint32_t at = 0;
        while (at < count && strcmp(options[at].name, more[i].name) != 0) at++;
        options[at] = more[i];
        if (at == count) count++;
    }
    self->arena = arena_new(NULL);
    test_host_init(&self->host);
    test_call_init(&self->call, &self->host);
    self->subject = (Subject){.connector = mysql_connector(),
                              .catalog_name = "shop",
                              .host = &self->host,
                              .call = &self->call};
    if (self->subject.connector->open(&self->host.host, "shop", options, count,
                                      &self->subject.catalog, &err) != TRIB_OK)
        fail_msg("%s", err.message);
}

void fixture_close(Fixture *self) {
    self->subject.connector->close(self->subject.catalog);
    test_call_clear(&self->call);
    assert_int_equal(atomic_load(&self->host.blocks), 0);
    arena_free(self->arena);
}

typedef struct Keep {
    Arena *arena;
    TribTable *table;
} Keep;

static TribStatus keep_described(void *context, const TribTable *table, TribError *err) {
    Keep *keep = context;
    keep->table = table_copy(keep->arena, table);
    return TRIB_OK;
}

TribTable *fixture_table(Fixture *self, const char *name) {
    TribError err;
    Keep keep = {.arena = self->arena};
    TribNames names = {.self = &keep, .described = keep_described};
    if (self->subject.connector->describe_table(self->subject.catalog, &self->call.call, "test_db",
                                                name, &names, &err) != TRIB_OK)
        fail_msg("%s", err.message);
    return keep.table;
}

static uint32_t column_index(const TribTable *table, const char *name) {
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (strcmp(table->columns[i].name, name) == 0) return i;
    }
    fail_msg("there is no column %s", name);
    return 0;
}

Ask ask_column(Fixture *self, const TribTable *table, const char *column) {
    Ask what = {.table = table, .mode = TRIB_PUSHDOWN_EXACT, .limit = -1};
    what.outputs = ARENA_ARRAY(self->arena, Expr *, 2);
    what.outputs[what.noutput++] = expr_column(self->arena, table, column_index(table, "id"));
    what.outputs[what.noutput++] = expr_column(self->arena, table, column_index(table, column));
    return what;
}

static int by_id(const void *left, const void *right) {
    const TribValue *a = left, *b = right; /* pairs: id and value */
    return value_compare(a, b);
}

void expect_column(Fixture *self, const char *table, const char *column, const char *const *texts,
                   size_t count) {
    Answer answer;
    Ask what = ask_column(self, fixture_table(self, table), column);
    ask(&self->subject, self->arena, &what, &answer);
    if (answer.status != TRIB_OK) fail_msg("%s.%s: %s", table, column, answer.err.message);
    assert_int_equal(answer.rows.count, count);
    if (count) qsort(answer.rows.values, count, 2 * sizeof(TribValue), by_id);
    for (size_t i = 0; i < count; i++) {
        Buf text;
        buf_init(&text, self->arena, 1 << 20);
        sql_value_text(&text, &rows_at(&answer.rows, i)[1]);
        if (strcmp(text.data, texts[i]) != 0)
            fail_msg("%s.%s, row %zu: %s, expected %s", table, column, i + 1, text.data, texts[i]);
    }
}

void expect_failure(Fixture *self, const char *table, const char *column, const char *sqlstate,
                    const char *word) {
    Answer answer;
    Ask what = ask_column(self, fixture_table(self, table), column);
    ask(&self->subject, self->arena, &what, &answer);
    assert_int_not_equal(answer.status, TRIB_OK);
    if (strcmp(answer.err.sqlstate, sqlstate) != 0)
        fail_msg("SQLSTATE %s instead of %s: %s", answer.err.sqlstate, sqlstate,
                 answer.err.message);
    if (!strstr(answer.err.message, word) && !strstr(answer.err.hint, word))
        fail_msg("it says \"%s\", \"%s\"", answer.err.message, answer.err.hint);
}

/* ---------------------------------------------------------------- scans in steps */

void steps_open(Steps *self, Fixture *f, const Ask *what) {
    const TribConnector *c = f->subject.connector;
    const TribSplit *const *splits;
    uint32_t nsplits;
    struct ArrowSchema schema;
    Answer answer;
    memset(self, 0, sizeof *self);
    self->status = ask_plan(&f->subject, f->arena, what, &answer, &self->plan);
    self->err = answer.err;
    if (self->status != TRIB_OK) return;
    self->status = c->splits(self->plan, &f->call.call, 1, &splits, &nsplits, &self->err);
    if (self->status != TRIB_OK) return;
    TribScanRequest request = {.size = sizeof request,
                               .plan = self->plan,
                               .split = splits[0],
                               .batch_rows = 2048,
                               .batch_bytes = 1 << 20};
    self->status =
        c->scan_open(f->subject.catalog, &f->call.call, &request, &self->scan, &schema, &self->err);
}

bool steps_next(Steps *self, Fixture *f) {
    TribBatch batch;
    self->status = f->subject.connector->scan_next(self->scan, 2048, &batch, &self->err);
    if (self->status != TRIB_OK || !batch.array.release) return false;
    self->rows += (uint64_t)batch.array.length;
    batch.array.release(&batch.array);
    return true;
}

void steps_close(Steps *self, Fixture *f) {
    if (self->scan) f->subject.connector->scan_release(self->scan);
    if (self->plan) f->subject.connector->plan_release(self->plan);
    self->scan = NULL;
    self->plan = NULL;
}
