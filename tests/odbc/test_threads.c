/*
 * test_threads.c - any number of threads and any mixture of handles: eight with connections of their
 * own, eight with statements of one connection, many that use the driver for the first time at the
 * same moment, calls of all kinds on one statement. Meant for ThreadSanitizer, right without it too.
 *
 * The first use needs a fresh process: this program starts itself again for it.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS       8
#define FIRST_THREADS 24
#define ROUNDS        15
#define TABLE_ROWS    5000

static Odbc odbc;
static char folder[] = "/tmp/tributary_threads_XXXXXX";
static char connection[300];

/* ---------------------------------------------------------------- tables */

static int load(void **state) {
    char path[200];
    assert_non_null(mkdtemp(folder));
    sqlite_file_items(folder, TABLE_ROWS);
    snprintf(path, sizeof path, "%s/config.json", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"settings\": {\"connector_path\": \"" CONNECTOR_PATH
            "\", \"metastore\": \"%s/meta.db\", \"threads\": 3, \"metadata_ttl\": 1},\n"
            "\"catalogs\": {\"lite\": {\"type\": \"sqlite\", \"path\": \"%s/items.db\"},\n"
            " \"mem\": {\"type\": \"memory\", \"script\": [\"CREATE TABLE mem.default.few (i "
            "integer, t varchar(10))\", \"INSERT INTO mem.default.few VALUES (1, 'one'), (2, "
            "'two'), (3, 'three')\"]}}}\n",
            folder, folder);
    assert_int_equal(fclose(file), 0);
    snprintf(connection, sizeof connection, "Config=%s", path);
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"items.db", "config.json", "meta.db", "meta.db-wal",
                                        "meta.db-shm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* ---------------------------------------------------------------- what a thread checks for itself */

/* cmocka's assertions jump, which a thread may not: the first failure is kept and told by main. */
static _Atomic int first_failure;

#define EXPECT(condition)                                                    \
    do {                                                                     \
        int none = 0;                                                        \
        if (!(condition)) {                                                  \
            atomic_compare_exchange_strong(&first_failure, &none, __LINE__); \
            return false;                                                    \
        }                                                                    \
    } while (0)

static bool opened(SQLHENV *env, SQLHDBC *dbc) {
    EXPECT(odbc.SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, env) == SQL_SUCCESS);
    EXPECT(odbc.SQLSetEnvAttr(*env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) ==
           SQL_SUCCESS);
    EXPECT(odbc.SQLAllocHandle(SQL_HANDLE_DBC, *env, dbc) == SQL_SUCCESS);
    EXPECT(odbc.SQLDriverConnect(*dbc, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL,
                                 SQL_DRIVER_NOPROMPT) == SQL_SUCCESS);
    return true;
}

static bool closed(SQLHENV env, SQLHDBC dbc) {
    EXPECT(odbc.SQLDisconnect(dbc) == SQL_SUCCESS);
    EXPECT(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc) == SQL_SUCCESS);
    EXPECT(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env) == SQL_SUCCESS);
    return true;
}

static bool numbers(SQLHSTMT stmt, const char *sql, SQLBIGINT first, SQLBIGINT second) {
    SQLBIGINT a = -1, b = -1;
    SQLLEN length;
    EXPECT(odbc.SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS) == SQL_SUCCESS);
    EXPECT(odbc.SQLFetch(stmt) == SQL_SUCCESS);
    EXPECT(odbc.SQLGetData(stmt, 1, SQL_C_SBIGINT, &a, 0, &length) == SQL_SUCCESS);
    EXPECT(odbc.SQLGetData(stmt, 2, SQL_C_SBIGINT, &b, 0, &length) == SQL_SUCCESS);
    EXPECT(a == first && b == second);
    EXPECT(odbc.SQLFetch(stmt) == SQL_NO_DATA);
    EXPECT(odbc.SQLFreeStmt(stmt, SQL_CLOSE) == SQL_SUCCESS);
    return true;
}

/* One of everything: join, sort, parameters, catalog function, failure with its record. */
static bool statement_work(SQLHSTMT stmt) {
    SQLINTEGER limit = 100;
    SQLCHAR state[6], message[300];
    SQLRETURN result;
    int rows = 0;
    EXPECT(numbers(stmt,
                   "SELECT count(*), sum(a.id) FROM lite.main.items a JOIN lite.main.items b ON "
                   "a.t = b.t",
                   TABLE_ROWS, (SQLBIGINT)TABLE_ROWS * (TABLE_ROWS - 1) / 2));
    EXPECT(numbers(stmt, "SELECT max(i), min(i) FROM mem.default.few", 3, 1));
    EXPECT(odbc.SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &limit,
                                 0, NULL) == SQL_SUCCESS);
    EXPECT(odbc.SQLPrepare(stmt,
                           (SQLCHAR *)"SELECT t FROM lite.main.items WHERE id < ? ORDER BY t DESC",
                           SQL_NTS) == SQL_SUCCESS);
    EXPECT(odbc.SQLExecute(stmt) == SQL_SUCCESS);
    while ((result = odbc.SQLFetch(stmt)) == SQL_SUCCESS) rows++;
    EXPECT(result == SQL_NO_DATA && rows == limit);
    EXPECT(odbc.SQLFreeStmt(stmt, SQL_CLOSE) == SQL_SUCCESS);
    EXPECT(odbc.SQLFreeStmt(stmt, SQL_RESET_PARAMS) == SQL_SUCCESS);
    EXPECT(odbc.SQLColumns(stmt, (SQLCHAR *)"lite", SQL_NTS, NULL, 0, (SQLCHAR *)"items", SQL_NTS,
                           NULL, 0) == SQL_SUCCESS);
    for (rows = 0; odbc.SQLFetch(stmt) == SQL_SUCCESS; rows++) {
    }
    EXPECT(rows == 2);
    EXPECT(odbc.SQLFreeStmt(stmt, SQL_CLOSE) == SQL_SUCCESS);
    EXPECT(odbc.SQLExecDirect(stmt, (SQLCHAR *)"SELECT nothing FROM lite.main.items", SQL_NTS) ==
           SQL_ERROR);
    EXPECT(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, NULL, message, sizeof message,
                              NULL) == SQL_SUCCESS);
    EXPECT(strcmp((char *)state, "42S22") == 0);
    return true;
}

static void join_all(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++) assert_int_equal(pthread_join(threads[i], NULL), 0);
    if (atomic_load(&first_failure)) fail_msg("line %d", atomic_load(&first_failure));
}

/* ---------------------------------------------------------------- connections of their own */

static bool own_connection_work(void) {
    for (int i = 0; i < ROUNDS / 3; i++) {
        SQLHENV env;
        SQLHDBC dbc;
        SQLHSTMT stmt;
        EXPECT(opened(&env, &dbc));
        EXPECT(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) == SQL_SUCCESS);
        for (int k = 0; k < 2; k++) EXPECT(statement_work(stmt));
        EXPECT(odbc.SQLExecDirect(stmt, (SQLCHAR *)"SELECT * FROM lite.main.items", SQL_NTS) ==
               SQL_SUCCESS);
        EXPECT(closed(env, dbc)); /* with an open cursor */
    }
    return true;
}

static void *own_connection(void *unused) {
    (void)own_connection_work();
    return NULL;
}

static void own_connections(void **state) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, own_connection, NULL), 0);
    join_all(threads, THREADS);
}

/* ---------------------------------------------------------------- statements of one connection */

static bool shared_connection_work(SQLHDBC dbc) {
    for (int i = 0; i < ROUNDS / 3; i++) {
        SQLHSTMT stmt;
        SQLCHAR name[60];
        SQLSMALLINT length;
        EXPECT(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) == SQL_SUCCESS);
        EXPECT(statement_work(stmt));
        EXPECT(odbc.SQLGetInfo(dbc, SQL_DBMS_NAME, name, sizeof name, &length) == SQL_SUCCESS);
        EXPECT(odbc.SQLSetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG,
                                      (SQLPOINTER)(uintptr_t)(i % 2 ? "lite" : "mem"),
                                      SQL_NTS) == SQL_SUCCESS);
        EXPECT(odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt) == SQL_SUCCESS);
    }
    return true;
}

static void *shared_connection(void *dbc) {
    (void)shared_connection_work(dbc);
    return NULL;
}

static void one_connection(void **state) {
    pthread_t threads[THREADS];
    SQLHENV env;
    SQLHDBC dbc;
    assert_true(opened(&env, &dbc));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, shared_connection, dbc), 0);
    join_all(threads, THREADS);
    assert_true(closed(env, dbc));
}

/* ---------------------------------------------------------------- one statement for all */

typedef struct Shared {
    SQLHDBC dbc;
    SQLHSTMT stmt;
    _Atomic bool stop;
} Shared;

/* Any outcome is right that the specification knows; what counts is that nothing breaks. */
static void *any_call(void *context) {
    Shared *self = context;
    unsigned seed = (unsigned)(uintptr_t)&seed;
    while (!atomic_load(&self->stop)) {
        SQLSMALLINT n;
        SQLLEN rows, length;
        SQLCHAR text[100];
        seed = seed * 1103515245 + 12345;
        switch (seed >> 16 & 7) {
        case 0:
            (void)odbc.SQLExecDirect(self->stmt, (SQLCHAR *)"SELECT id, t FROM lite.main.items",
                                     SQL_NTS);
            break;
        case 1:
        case 2: (void)odbc.SQLFetch(self->stmt); break;
        case 3: (void)odbc.SQLGetData(self->stmt, 2, SQL_C_CHAR, text, sizeof text, &length); break;
        case 4: (void)odbc.SQLCancel(self->stmt); break;
        case 5: (void)odbc.SQLNumResultCols(self->stmt, &n); break;
        case 6:
            (void)odbc.SQLGetDiagRec(SQL_HANDLE_STMT, self->stmt, 1, text, NULL, text + 6, 90, &n);
            break;
        default:
            (void)odbc.SQLRowCount(self->stmt, &rows);
            (void)odbc.SQLFreeStmt(self->stmt, SQL_CLOSE);
        }
    }
    return NULL;
}

static void one_statement(void **state) {
    pthread_t threads[THREADS];
    SQLHENV env;
    Shared shared = {.stop = false};
    assert_true(opened(&env, &shared.dbc));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, shared.dbc, &shared.stmt));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, any_call, &shared), 0);
    usleep(1500000);
    /* freed under their hands: from then on the handle is invalid for all of them */
    while (odbc.SQLFreeHandle(SQL_HANDLE_STMT, shared.stmt) != SQL_SUCCESS) usleep(1000);
    usleep(50000);
    assert_int_equal(odbc.SQLFetch(shared.stmt), SQL_INVALID_HANDLE);
    atomic_store(&shared.stop, true);
    join_all(threads, THREADS);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, shared.dbc, &shared.stmt));
    assert_true(statement_work(shared.stmt));
    assert_true(closed(env, shared.dbc));
}

/* ---------------------------------------------------------------- first use */

static pthread_barrier_t start;

static bool first_use_work(void) {
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
    EXPECT(opened(&env, &dbc));
    EXPECT(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) == SQL_SUCCESS);
    EXPECT(statement_work(stmt));
    EXPECT(closed(env, dbc));
    return true;
}

static void *first_use(void *unused) {
    pthread_barrier_wait(&start);
    (void)first_use_work();
    return NULL;
}

static int first_use_process(const char *string) {
    pthread_t threads[FIRST_THREADS];
    snprintf(connection, sizeof connection, "%s", string);
    odbc_load(&odbc, REAL_DRIVER);
    pthread_barrier_init(&start, NULL, FIRST_THREADS);
    for (int i = 0; i < FIRST_THREADS; i++)
        if (pthread_create(&threads[i], NULL, first_use, NULL) != 0) return 96;
    for (int i = 0; i < FIRST_THREADS; i++) pthread_join(threads[i], NULL);
    if (atomic_load(&first_failure)) fprintf(stderr, "line %d\n", atomic_load(&first_failure));
    return atomic_load(&first_failure) != 0;
}

static void first_uses(void **state) {
    for (int i = 0; i < ROUNDS / 2; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", "test_threads", "first", connection, (char *)NULL);
            _exit(95);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("ended with %#x", (unsigned)status);
    }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "first") == 0) return first_use_process(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_uses),
        cmocka_unit_test(own_connections),
        cmocka_unit_test(one_connection),
        cmocka_unit_test(one_statement),
    };
    return cmocka_run_group_tests_name("threads", tests, load, unload);
}
