/*
 * test_cancel.c - SQLCancel from another thread, and SQL_ATTR_QUERY_TIMEOUT, at random phases of a
 * statement: while it is prepared, executed, first fetched, fetched on, spilled, closed.
 *
 * Tables of memory and of SQLite, and of MariaDB where TRIB_TEST_MYSQL_HOST says one. Every round ends
 * with HY008 (HYT00) or with the complete right rows, within a second of the request, and the same
 * connection answers the next statement. Afterwards there are as many threads and descriptors as
 * before, and not much more memory. The seed is printed; TRIB_TEST_SEED repeats a run and
 * TRIB_TEST_ROUNDS makes it longer.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SLOWER     8 /* a sanitizer is at work */
#define RSS_GROWTH 400
#else
#define SLOWER     1
#define RSS_GROWTH 48
#endif

#define TABLE_ROWS 60000
#define STEP       7919 /* v = id * STEP mod TABLE_ROWS visits every value: they share no divisor */
#define BLOCK      500
#define MYSQL_ROWS 300000

static Odbc odbc;
static char folder[] = "/tmp/tributary_cancel_XXXXXX";
static char connection[500];
static uint64_t random_state;
static int silent_socket = -1;

/* ---------------------------------------------------------------- small things */

static uint64_t random_next(void) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static int64_t now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int entries_of(const char *path) {
    int count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count - 3; /* . and .. and the one of the folder itself */
}

static int threads_now(void) {
    return entries_of("/proc/self/task") + 1;
}

static int descriptors_now(void) {
    return entries_of("/proc/self/fd");
}

static long rss_mib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* ---------------------------------------------------------------- tables and queries */

typedef struct Query {
    const char *sql;
    int64_t rows, sum; /* of the first column */
    bool parameter;    /* one, bound to TABLE_ROWS */
    bool spills, mysql;
    int64_t duration_us; /* measured */
} Query;

#define N        ((int64_t)TABLE_ROWS)
#define SUM_TO_N (N * (N - 1) / 2)

static Query queries[] = {
    {.sql = "SELECT id, v, t FROM mem.default.big", .rows = N, .sum = SUM_TO_N},
    {.sql = "SELECT id, v, t FROM lite.main.items", .rows = N, .sum = SUM_TO_N},
    {.sql = "SELECT id, t FROM mem.default.big ORDER BY v, t", .rows = N, .sum = SUM_TO_N},
    {.sql = "SELECT id, t FROM lite.main.items ORDER BY t DESC, v",
     .rows = N,
     .sum = SUM_TO_N,
     .spills = true},
    {.sql = "SELECT v, count(*), max(t) FROM mem.default.big GROUP BY v",
     .rows = N,
     .sum = SUM_TO_N,
     .spills = true},
    {.sql = "SELECT b.id, i.t FROM mem.default.big b JOIN lite.main.items i ON b.v = i.v",
     .rows = N,
     .sum = SUM_TO_N,
     .spills = true},
    {.sql = "SELECT b.id, i.t FROM lite.main.items i LEFT JOIN mem.default.big b ON b.id = i.v "
            "WHERE i.id < ?",
     .rows = N,
     .sum = SUM_TO_N,
     .parameter = true},
    {.sql = "SELECT DISTINCT v FROM (SELECT v FROM mem.default.big UNION ALL SELECT v FROM "
            "lite.main.items) u WHERE v < ?",
     .rows = N,
     .sum = SUM_TO_N,
     .parameter = true,
     .spills = true},
    {.sql = "SELECT id, t FROM mem.default.big WHERE v < ? ORDER BY id LIMIT 1000",
     .rows = 1000,
     .sum = 999 * 1000 / 2,
     .parameter = true},
    {.sql = "SELECT count(*) FROM mem.default.big a JOIN mem.default.big b ON a.v = b.id",
     .rows = 1,
     .sum = N},
    {.sql = "WITH RECURSIVE r(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM r WHERE i < 899) "
            "SELECT i FROM r",
     .rows = 900,
     .sum = INT64_C(899) * 900 / 2},
    {.sql = "WITH RECURSIVE r(v, d) AS (SELECT v, 0 FROM mem.default.big WHERE v < 100 UNION "
            "SELECT r.v, r.d + 1 FROM r JOIN lite.main.items i ON i.v = r.v WHERE r.d < 9) "
            "SELECT v, d FROM r",
     .rows = 1000,
     .sum = INT64_C(10) * 99 * 100 / 2},
    {.sql = "WITH g AS (SELECT v, count(*) AS n FROM mem.default.big GROUP BY v) "
            "SELECT a.v, b.n FROM g a JOIN g b ON a.v = b.v",
     .rows = N,
     .sum = SUM_TO_N,
     .spills = true},
    {.sql = "SELECT v FROM mem.default.big INTERSECT ALL SELECT v FROM lite.main.items",
     .rows = N,
     .sum = SUM_TO_N,
     .spills = true},
    {.sql = "SELECT id, v, t FROM mysql_catalog.analytics_db.numbers",
     .rows = MYSQL_ROWS,
     .sum = INT64_C(1) * MYSQL_ROWS * (MYSQL_ROWS + 1) / 2,
     .mysql = true},
    {.sql = "SELECT n.id, b.t FROM mysql_catalog.analytics_db.numbers n JOIN mem.default.big b ON "
            "n.id = b.id WHERE b.id > 0",
     .rows = N - 1,
     .sum = SUM_TO_N,
     .mysql = true,
     .spills = true},
};
#define QUERIES (sizeof queries / sizeof *queries)

static void database_write(void) {
    char sql[600];
    snprintf(sql, sizeof sql,
             "CREATE TABLE items (id INTEGER NOT NULL, v INTEGER NOT NULL, t TEXT NOT NULL);"
             "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < %d) "
             "INSERT INTO items SELECT i, i * %d %% %d, 'row number ' || i FROM s",
             TABLE_ROWS - 1, STEP, TABLE_ROWS);
    sqlite_file_make(folder, "items.db", sql);
}

/* A server that takes connections and never says a word. */
static int silent_listen(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    silent_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(silent_socket >= 0);
    assert_int_equal(bind(silent_socket, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(silent_socket, 100), 0);
    assert_int_equal(getsockname(silent_socket, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

static bool have_mysql(void) {
    return getenv("TRIB_TEST_MYSQL_HOST") != NULL;
}

static void config_write(void) {
    char path[200];
    snprintf(path, sizeof path, "%s/config.json", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"settings\": {\"connector_path\": \"" CONNECTOR_PATH
            "\", \"metastore\": \":memory:\", \"spill_dir\": \"%s\"},\n"
            "\"catalogs\": {\"mem\": {\"type\": \"memory\"}, \"lite\": {\"type\": \"sqlite\", "
            "\"path\": \"%s/items.db\"}",
            folder, folder);
    if (access(CONNECTOR_PATH "/trib_mysql.so", R_OK) == 0)
        fprintf(file,
                ", \"silent\": {\"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": %d, "
                "\"user\": \"u\"}",
                silent_listen());
    if (have_mysql())
        fprintf(file,
                ", \"mysql_catalog\": {\"type\": \"mysql\", \"host\": \"%s\", \"port\": %s, "
                "\"user\": \"%s\", \"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\"}",
                getenv("TRIB_TEST_MYSQL_HOST"), getenv("TRIB_TEST_MYSQL_PORT"),
                getenv("TRIB_TEST_MYSQL_USER"));
    assert_true(fprintf(file, "}}\n") > 0);
    assert_int_equal(fclose(file), 0);
}

static void open3(Link *link, bool force_spill) {
    char string[600];
    snprintf(string, sizeof string, "%s;ForceSpill=%s", connection, force_spill ? "true" : "false");
    link_open(link, &odbc, SQL_OV_ODBC3_80, string, false);
}

static int load(void **state) {
    const char *seed = getenv("TRIB_TEST_SEED");
    Link link;
    random_state = seed ? strtoull(seed, NULL, 0) : 20240229;
    print_message("TRIB_TEST_SEED=%llu\n", (unsigned long long)random_state);
    if (random_state == 0) random_state = 1;
    assert_non_null(mkdtemp(folder));
    database_write();
    config_write();
    snprintf(connection, sizeof connection, "Config=%s/config.json;Threads=2", folder);
    odbc_load(&odbc, REAL_DRIVER);
    open3(&link, false);
    run_ok(&link, "CREATE TABLE mem.default.big AS SELECT id, v, t FROM lite.main.items");
    link_close(&link);
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"items.db", "config.json"};
    for (size_t i = 0; i < 2; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0); /* no file of a spill was left */
    if (silent_socket >= 0) close(silent_socket);
    return 0;
}

/* ---------------------------------------------------------------- one round */

typedef enum Phase {
    PHASE_PREPARE,
    PHASE_EXECUTE,
    PHASE_FIRST_FETCH,
    PHASE_FETCH,
    PHASE_CLOSE,
    PHASE_DONE
} Phase;
static const char *const phase_names[] = {"prepare", "execute", "first fetch",
                                          "fetch",   "close",   "done"};

typedef struct Round {
    Link link;
    const Query *query;
    _Atomic int phase;
    _Atomic int64_t cancelled_us; /* when SQLCancel was called; 0: not yet */
    Phase wanted;
    int64_t delay_us;
    bool by_handle; /* SQLCancelHandle */
    int64_t rows, sum;
    int64_t called_us; /* when the last call began: each has the time-out to itself */
    SQLRETURN result;  /* of the call that ended the round */
} Round;

static void *cancel_at(void *context) {
    Round *self = context;
    while ((Phase)atomic_load(&self->phase) < self->wanted) {
        struct timespec tick = {0, 20000};
        nanosleep(&tick, NULL);
    }
    usleep((useconds_t)self->delay_us);
    atomic_store(&self->cancelled_us, now_us());
    SQLRETURN result = self->by_handle ? odbc.SQLCancelHandle(SQL_HANDLE_STMT, self->link.stmt)
                                       : odbc.SQLCancel(self->link.stmt);
    return result == SQL_SUCCESS ? NULL : self;
}

static SQLRETURN fetch_rows(Round *self) {
    static _Thread_local SQLBIGINT ids[BLOCK];
    static _Thread_local char texts[BLOCK][32];
    static _Thread_local SQLLEN lengths[BLOCK];
    SQLULEN fetched = 0;
    SQLRETURN result;
    SQLHSTMT stmt = self->link.stmt;
    SQLSMALLINT columns;
    OK(odbc.SQLNumResultCols(stmt, &columns));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)BLOCK, 0));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    OK(odbc.SQLBindCol(stmt, 1, SQL_C_SBIGINT, ids, 0, NULL));
    if (columns > 1)
        OK(odbc.SQLBindCol(stmt, (SQLUSMALLINT)columns, SQL_C_CHAR, texts, sizeof texts[0],
                           lengths));
    atomic_store(&self->phase, PHASE_FIRST_FETCH);
    while (self->called_us = now_us(), (result = odbc.SQLFetch(stmt)) == SQL_SUCCESS) {
        atomic_store(&self->phase, PHASE_FETCH);
        for (SQLULEN i = 0; i < fetched; i++) self->sum += ids[i];
        self->rows += (int64_t)fetched;
    }
    return result;
}

/* Prepares, executes, fetches everything, closes; ends early at the first failure. */
static SQLRETURN query_run(Round *self) {
    SQLHSTMT stmt = self->link.stmt;
    SQLINTEGER bound = TABLE_ROWS;
    if (self->query->parameter)
        OK(odbc.SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &bound,
                                 0, NULL));
    atomic_store(&self->phase, PHASE_PREPARE);
    self->called_us = now_us();
    SQLRETURN result = odbc.SQLPrepare(stmt, (SQLCHAR *)(uintptr_t)self->query->sql, SQL_NTS);
    if (result != SQL_SUCCESS) return result;
    atomic_store(&self->phase, PHASE_EXECUTE);
    self->called_us = now_us();
    result = odbc.SQLExecute(stmt);
    if (result != SQL_SUCCESS) return result;
    return fetch_rows(self);
}

static void expect_right(const Round *self) {
    if (self->rows != self->query->rows || self->sum != self->query->sum)
        fail_msg("%s: %lld rows, sum %lld instead of %lld, %lld", self->query->sql,
                 (long long)self->rows, (long long)self->sum, (long long)self->query->rows,
                 (long long)self->query->sum);
}

static void expect_working(Link *link) {
    OK(odbc.SQLFreeStmt(link->stmt, SQL_CLOSE));
    OK(odbc.SQLFreeStmt(link->stmt, SQL_UNBIND));
    OK(odbc.SQLFreeStmt(link->stmt, SQL_RESET_PARAMS));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROWS_FETCHED_PTR, NULL, 0));
    run_ok(link, "SELECT count(*) + 1 FROM lite.main.items WHERE id < 41");
    OK(odbc.SQLFetch(link->stmt));
    assert_string_equal(text_of(link, 1), "42");
    close_cursor(link);
}

/* The outcome of a round that `state` may end. */
static bool expect_outcome(Round *self, const char *sqlstate) {
    if (self->result == SQL_NO_DATA) {
        expect_right(self);
        return false;
    }
    FAILS(self->result);
    const char *got = diag_of(&odbc, SQL_HANDLE_STMT, self->link.stmt);
    if (strcmp(got, sqlstate) != 0)
        fail_msg("%s in phase %s: %s %s", self->query->sql, phase_names[self->phase], got,
                 diag_message());
    return true;
}

typedef struct Tally {
    int cancelled[PHASE_DONE + 1], complete;
    int64_t slowest_us;
} Tally;

static void round_run(Link *link, const Query *query, Tally *tally) {
    Round self = {.link = *link, .query = query};
    pthread_t thread;
    void *failed = NULL;
    self.wanted = (Phase)(random_next() % PHASE_DONE);
    self.by_handle = random_next() % 4 == 0;
    uint64_t span = (uint64_t)query->duration_us / (self.wanted == PHASE_EXECUTE ? 1 : 2) + 1;
    self.delay_us = random_next() % 3 == 0 ? 0 : (int64_t)(random_next() % span);
    assert_int_equal(pthread_create(&thread, NULL, cancel_at, &self), 0);
    self.result = query_run(&self);
    int phase = atomic_load(&self.phase);
    int64_t ended = now_us();
    bool cancelled = expect_outcome(&self, "HY008");
    atomic_store(&self.phase, PHASE_CLOSE);
    OK(odbc.SQLFreeStmt(link->stmt, SQL_CLOSE));
    atomic_store(&self.phase, PHASE_DONE);
    pthread_join(thread, &failed);
    assert_null(failed);
    if (cancelled) {
        int64_t took = ended - atomic_load(&self.cancelled_us);
        if (took > tally->slowest_us) tally->slowest_us = took;
        if (took > 1000000 * SLOWER)
            fail_msg("%s in phase %s went on for %lld us", query->sql, phase_names[phase],
                     (long long)took);
        tally->cancelled[phase]++;
    } else {
        tally->complete++;
    }
    expect_working(link);
}

static void measure(void) {
    for (size_t i = 0; i < QUERIES; i++) {
        Round self = {.query = &queries[i]};
        if (queries[i].mysql && !have_mysql()) continue;
        open3(&self.link, queries[i].spills);
        int64_t start = now_us();
        SQLRETURN result = query_run(&self);
        if (result != SQL_NO_DATA)
            fail_msg("%s: %s %s", queries[i].sql, diag_of(&odbc, SQL_HANDLE_STMT, self.link.stmt),
                     diag_message());
        expect_right(&self);
        queries[i].duration_us = now_us() - start;
        link_close(&self.link);
    }
}

static const Query *query_random(void) {
    const Query *query;
    do query = &queries[random_next() % QUERIES];
    while (query->mysql && !have_mysql());
    return query;
}

/* Threads that a connection left behind end by themselves. */
static void settle(int threads) {
    int64_t patience = now_us() + (threads ? 5000000 : 1500000);
    while (threads_now() > threads && now_us() < patience) usleep(50000);
}

static void cancelling(void **state) {
    const char *wanted = getenv("TRIB_TEST_ROUNDS");
    int rounds = wanted ? (int)strtol(wanted, NULL, 10) : 400 / SLOWER;
    Tally tally = {0};
    int threads = 0, descriptors = 0;
    long rss = 0;
    measure();
    for (int i = 0; i < rounds;) {
        Link link;
        const Query *query = query_random();
        open3(&link, query->spills);
        for (int k = 0; k < 5 && i < rounds; k++, i++) round_run(&link, query, &tally);
        link_close(&link);
        if (i < rounds / 4 || threads) continue;
        settle(0);
        threads = threads_now(); /* the pools are as large as they get */
        descriptors = descriptors_now();
        rss = rss_mib();
    }
    settle(threads);
    print_message("%d rounds:", rounds);
    for (int i = 0; i < PHASE_DONE; i++)
        print_message(" %d in %s,", tally.cancelled[i], phase_names[i]);
    print_message(" %d complete; slowest %lld ms; threads %d -> %d, descriptors %d -> %d, "
                  "RSS %ld -> %ld MiB\n",
                  tally.complete, (long long)tally.slowest_us / 1000, threads, threads_now(),
                  descriptors, descriptors_now(), rss, rss_mib());
    assert_true(threads_now() <= threads + 2); /* workers and connections that sources keep */
    assert_true(descriptors_now() <= descriptors + 8);
    assert_true(rss_mib() - rss <= RSS_GROWTH);
    assert_true(tally.cancelled[PHASE_EXECUTE] + tally.cancelled[PHASE_FETCH] +
                    tally.cancelled[PHASE_FIRST_FETCH] >
                rounds / 5);
}

/* ---------------------------------------------------------------- statements that would never end */

/* Each phase in which one can be stuck; `first` rows come before. */
static const struct Endless {
    const char *name, *sql;
    bool force_spill, needs_silent, returns_rows;
} endless[] = {
    {"execution of an aggregate",
     "SELECT count(*) FROM mem.default.big a CROSS JOIN mem.default.big b CROSS JOIN "
     "mem.default.big c",
     false, false, false},
    {"execution with a parameter",
     "SELECT count(*) FROM lite.main.items a CROSS JOIN mem.default.big b WHERE a.id + b.id < ?",
     false, false, false},
    {"fetch of a filter that lets nothing pass",
     "SELECT a.id, b.t FROM mem.default.big a CROSS JOIN mem.default.big b WHERE a.id + b.id < 0",
     false, false, false},
    {"fetch after the first rows",
     "SELECT id, t FROM lite.main.items UNION ALL SELECT a.id, b.t FROM mem.default.big a CROSS "
     "JOIN mem.default.big b WHERE a.v + b.id < 0",
     false, false, true},
    {"a sort that spills",
     "SELECT a.id, b.t FROM mem.default.big a CROSS JOIN mem.default.big b ORDER BY b.t, a.v", true,
     false, false},
    {"groups that spill",
     "SELECT a.v * 60000 + b.v AS k, count(*) FROM mem.default.big a CROSS JOIN mem.default.big b "
     "GROUP BY 1",
     true, false, false},
    {"description of a table whose server is silent", "SELECT * FROM silent.a.b", false, true,
     false},
};
#define ENDLESS (sizeof endless / sizeof *endless)

/* Runs it until a request ends it. */
static SQLRETURN endless_run(Round *self) {
    SQLRETURN result = query_run(self);
    if (result == SQL_NO_DATA) fail_msg("%s came to an end", self->query->sql);
    return result;
}

static bool endless_possible(size_t i) {
    return !endless[i].needs_silent || silent_socket >= 0;
}

static void timing_out(void **state) {
    for (size_t i = 0; i < ENDLESS; i++) {
        Query query = {.sql = endless[i].sql, .parameter = strchr(endless[i].sql, '?') != NULL};
        Round self = {.query = &query};
        if (!endless_possible(i)) continue;
        open3(&self.link, endless[i].force_spill);
        OK(odbc.SQLSetStmtAttr(self.link.stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)1, 0));
        self.result = endless_run(&self);
        int64_t took = now_us() - self.called_us;
        expect_outcome(&self, "HYT00");
        if (took < 900000 || took > 2000000 + 1000000 * (SLOWER - 1))
            fail_msg("%s timed out after %lld us", endless[i].name, (long long)took);
        expect_working(&self.link);
        link_close(&self.link);
    }
}

/* One SQLCancel is enough, whenever during the one long call it comes. */
static void once_is_enough(void **state) {
    for (int round = 0; round < 12; round++) {
        for (size_t i = 0; i < ENDLESS; i++) {
            Query query = {.sql = endless[i].sql, .parameter = strchr(endless[i].sql, '?') != NULL};
            Round self = {.query = &query, .wanted = PHASE_FIRST_FETCH};
            pthread_t thread;
            void *failed = NULL;
            if (!endless_possible(i) || (endless[i].needs_silent && round > 3)) continue;
            if (endless[i].returns_rows) continue; /* it may come between two fetches */
            if (endless[i].needs_silent) self.wanted = PHASE_PREPARE;
            /* what comes before the call has begun is not for it */
            self.delay_us = (1000 + (int64_t)(random_next() % (round < 6 ? 3000 : 60000))) * SLOWER;
            open3(&self.link, endless[i].force_spill);
            /* should the request be lost, this ends the test */
            OK(odbc.SQLSetStmtAttr(self.link.stmt, SQL_ATTR_QUERY_TIMEOUT,
                                   (SQLPOINTER)(intptr_t)(4 * SLOWER), 0));
            assert_int_equal(pthread_create(&thread, NULL, cancel_at, &self), 0);
            self.result = endless_run(&self);
            int64_t took = now_us() - atomic_load(&self.cancelled_us);
            expect_outcome(&self, "HY008");
            pthread_join(thread, &failed);
            assert_null(failed);
            if (took > 1000000 * SLOWER)
                fail_msg("%s went on for %lld us", endless[i].name, (long long)took);
            if (round == 0) expect_working(&self.link);
            link_close(&self.link);
        }
    }
}

/* Catalog functions are statements too. */
static void catalog_functions(void **state) {
    Query query = {.sql = "SQLTables"};
    Round self = {.query = &query, .wanted = PHASE_EXECUTE, .delay_us = 100000};
    pthread_t thread;
    void *failed = NULL;
    if (silent_socket < 0) skip();
    open3(&self.link, false);
    SQLHSTMT stmt = self.link.stmt;
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)1, 0));
    int64_t start = now_us();
    FAILS(odbc.SQLTables(stmt, (SQLCHAR *)"silent", SQL_NTS, NULL, 0, NULL, 0, NULL, 0));
    STATE_IS(&self.link, "HYT00");
    assert_true(now_us() - start < 2000000 * SLOWER);
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)0, 0));
    atomic_store(&self.phase, PHASE_EXECUTE);
    assert_int_equal(pthread_create(&thread, NULL, cancel_at, &self), 0);
    FAILS(odbc.SQLTables(stmt, (SQLCHAR *)"silent", SQL_NTS, NULL, 0, NULL, 0, NULL, 0));
    STATE_IS(&self.link, "HY008");
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_true(now_us() - atomic_load(&self.cancelled_us) < 1000000 * SLOWER);
    expect_working(&self.link);
    link_close(&self.link);
}

/* A call of many requests to the engine: the first one that is cancelled is the last. */
static void many_sets(void **state) {
    enum { SETS = 30000 };
    static SQLINTEGER values[SETS];
    static SQLUSMALLINT status[SETS];
    SQLULEN processed = 0;
    Query query = {.sql = "INSERT INTO mem.default.sets SELECT CAST(? AS integer)"};
    Round self = {.query = &query, .wanted = PHASE_EXECUTE, .delay_us = 20000};
    pthread_t thread;
    void *failed = NULL;
    open3(&self.link, false);
    SQLHSTMT stmt = self.link.stmt;
    run_ok(&self.link, "CREATE TABLE mem.default.sets (i integer)");
    for (int i = 0; i < SETS; i++) values[i] = i;
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS, 0));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    OK(odbc.SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, values, 0,
                             NULL));
    OK(odbc.SQLPrepare(stmt, (SQLCHAR *)(uintptr_t)query.sql, SQL_NTS));
    assert_int_equal(pthread_create(&thread, NULL, cancel_at, &self), 0);
    atomic_store(&self.phase, PHASE_EXECUTE);
    FAILS(odbc.SQLExecute(stmt));
    STATE_IS(&self.link, "HY008");
    assert_true(now_us() - atomic_load(&self.cancelled_us) < 1000000 * SLOWER);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_in_range(processed, 1, SETS - 1);
    for (SQLULEN i = 0; i < SETS; i++)
        assert_int_equal(status[i], i + 1 < processed    ? SQL_PARAM_SUCCESS
                                    : i + 1 == processed ? SQL_PARAM_ERROR
                                                         : SQL_PARAM_UNUSED);
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAM_STATUS_PTR, NULL, 0));
    OK(odbc.SQLSetStmtAttr(stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, NULL, 0));
    run_ok(&self.link, "SELECT count(*) FROM mem.default.sets"); /* what was told is there */
    OK(odbc.SQLFetch(stmt));
    assert_int_equal(strtoull(text_of(&self.link, 1), NULL, 10), processed - 1);
    expect_working(&self.link);
    run_ok(&self.link, "DROP TABLE mem.default.sets");
    link_close(&self.link);
}

/* Nothing is under way: SQLCancel does nothing, and the next call is not cancelled. */
static void nothing_to_cancel(void **state) {
    Link link;
    open3(&link, false);
    OK(odbc.SQLCancel(link.stmt));
    run_ok(&link, "SELECT id FROM lite.main.items WHERE id < 10");
    for (int i = 0; i < 10; i++) {
        OK(odbc.SQLCancel(link.stmt));
        OK(odbc.SQLFetch(link.stmt));
    }
    OK(odbc.SQLCancelHandle(SQL_HANDLE_STMT, link.stmt));
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    link_close(&link);
}

static void *cancel_now(void *stmt) {
    return odbc.SQLCancel(stmt) == SQL_SUCCESS ? NULL : stmt;
}

/* Another thread's SQLCancel comes between two calls: it is not lost, and the cursor's end ends it. */
static void between_two_calls(void **state) {
    Link link;
    pthread_t thread;
    void *failed;
    SQLRETURN result;
    open3(&link, false);
    for (int closed = 0; closed < 2; closed++) {
        run_ok(&link,
               "SELECT a.n FROM UNNEST(sequence(1, 9000)) a (n), UNNEST(sequence(1, 9000)) b (n)");
        OK(odbc.SQLFetch(link.stmt));
        assert_int_equal(pthread_create(&thread, NULL, cancel_now, link.stmt), 0);
        pthread_join(thread, &failed);
        assert_null(failed);
        assert_string_equal(text_of(&link, 1), "1"); /* a row that is here stays */
        if (!closed) {
            int64_t before = now_us();
            while ((result = odbc.SQLFetch(link.stmt)) == SQL_SUCCESS)
                assert_true(now_us() - before < 5000000 * SLOWER);
            FAILS(result);
            STATE_IS(&link, "HY008");
        }
        OK(odbc.SQLCloseCursor(link.stmt));
        expect_working(&link);
    }
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_cancel), cmocka_unit_test(between_two_calls),
        cmocka_unit_test(cancelling),        cmocka_unit_test(once_is_enough),
        cmocka_unit_test(timing_out),        cmocka_unit_test(catalog_functions),
        cmocka_unit_test(many_sets),
    };
    return cmocka_run_group_tests_name("cancelling and time-outs", tests, load, unload);
}
