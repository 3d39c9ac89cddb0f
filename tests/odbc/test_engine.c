/*
 * test_engine.c - the installed driver with the real engine, called without the manager: statements
 * over tables in memory, parameters, block fetches, metadata, cancelling, fork, many threads.
 */
#include "tests/odbc/odbc_test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Odbc odbc;
static char config[] = "/tmp/tributary_config_XXXXXX";
static char connection[500];

static int load(void **state) {
    static const char text[] =
        "{ // tables in memory\n"
        "  \"catalogs\": { \"memory\": { \"type\": \"memory\", \"script\": [\n"
        "    \"CREATE TABLE memory.default.people (id integer, name varchar(20), born date, credit "
        "decimal(10,2))\",\n"
        "    \"INSERT INTO memory.default.people VALUES (1, 'Ann', DATE '1990-05-01', 12.50), (2, "
        "'Bob', NULL, -3), "
        "(3, 'Gr\xC3\xBC\xC3\x9F"
        "e \xF0\x9F\x98\x80', DATE '2000-02-29', 0)\"] } } }\n";
    file_new(config, text);
    connection_string(connection, sizeof connection, config, CONNECTOR_PATH, "memory");
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    unlink(config);
    return 0;
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, connection, false);
}

static void queries(void **state) {
    Link link;
    SQLSMALLINT type, digits, n;
    SQLULEN size;
    SQLLEN rows;
    open3(&link);
    OK(odbc.SQLPrepare(
        link.stmt,
        (SQLCHAR *)"SELECT id, name, born, credit, credit * 2 AS twice FROM people ORDER BY id",
        SQL_NTS));
    OK(odbc.SQLNumResultCols(link.stmt, &n));
    assert_int_equal(n, 5);
    OK(odbc.SQLDescribeCol(link.stmt, 4, NULL, 0, NULL, &type, &size, &digits, NULL));
    assert_int_equal(type, SQL_DECIMAL);
    assert_int_equal(size, 10);
    assert_int_equal(digits, 2);
    for (int round = 0; round < 2; round++) {
        OK(odbc.SQLExecute(link.stmt));
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 2), "Ann");
        assert_string_equal(text_of(&link, 3), "1990-05-01");
        assert_string_equal(text_of(&link, 5), "25.00");
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 3), "(null)");
        assert_string_equal(text_of(&link, 4), "-3.00");
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 2), "Gr\xC3\xBC\xC3\x9F"
                                               "e \xF0\x9F\x98\x80");
        assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
        OK(odbc.SQLCloseCursor(link.stmt));
    }
    run_ok(&link, "SELECT 'x' || 'y', CAST(1.5E0 AS real), TIMESTAMP '2024-01-15 10:00:00.123', "
                  "true, UUID '00112233-4455-6677-8899-aabbccddeeff'");
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "xy");
    assert_string_equal(text_of(&link, 2), "1.5");
    assert_string_equal(text_of(&link, 3), "2024-01-15 10:00:00.123");
    assert_string_equal(text_of(&link, 4), "1");
    assert_string_equal(text_of(&link, 5), "00112233-4455-6677-8899-aabbccddeeff");
    close_cursor(&link);
    run_ok(&link, "CREATE TABLE scratch (a integer, b varchar(10))");
    OK(odbc.SQLNumResultCols(link.stmt, &n));
    assert_int_equal(n, 0);
    run_ok(&link, "INSERT INTO scratch VALUES (1, 'x'), (2, 'y')");
    OK(odbc.SQLRowCount(link.stmt, &rows));
    assert_int_equal(rows, 2);
    run_ok(&link, "DROP TABLE scratch");
    const struct {
        const char *sql, *sqlstate;
    } wrong[] = {{"SELEC 1", "42000"},
                 {"SELECT nothing FROM people", "42S22"},
                 {"SELECT * FROM missing", "42S02"},
                 {"SELECT 1/0", "22012"},
                 {"SELECT CAST('x' AS integer)", "22018"},
                 {"SELECT * FROM nowhere.a.b", "3D000"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        SQLRETURN result = run(&link, wrong[i].sql);
        if (result == SQL_SUCCESS) result = odbc.SQLFetch(link.stmt);
        FAILS(result);
        STATE_IS(&link, wrong[i].sqlstate);
        close_cursor(&link);
    }
    link_close(&link);
}

static void parameters(void **state) {
    Link link;
    SQLINTEGER id = 2;
    SQLLEN nts = SQL_NTS;
    SQLSMALLINT type, n;
    SQLULEN size;
    open3(&link);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT name FROM people WHERE id = ? OR credit > ?",
                       SQL_NTS));
    OK(odbc.SQLNumParams(link.stmt, &n));
    assert_int_equal(n, 2);
    OK(odbc.SQLDescribeParam(link.stmt, 1, &type, &size, NULL, NULL));
    assert_int_equal(type, SQL_INTEGER);
    OK(odbc.SQLDescribeParam(link.stmt, 2, &type, &size, NULL, NULL));
    assert_int_equal(type, SQL_DECIMAL);
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0,
                             NULL));
    OK(odbc.SQLBindParameter(link.stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_DECIMAL, 10, 2, "100.5",
                             0, &nts));
    for (id = 1; id <= 2; id++) {
        OK(odbc.SQLExecute(link.stmt));
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 1), id == 1 ? "Ann" : "Bob");
        assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
        OK(odbc.SQLCloseCursor(link.stmt));
    }
    SQLINTEGER values[100];
    SQLLEN rows;
    for (int i = 0; i < 100; i++) values[i] = i;
    run_ok(&link, "CREATE TABLE filled (i integer)");
    OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)100, 0));
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, values,
                             0, NULL));
    run_ok(&link, "INSERT INTO filled VALUES (?)");
    OK(odbc.SQLRowCount(link.stmt, &rows));
    assert_int_equal(rows, 100);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0));
    run_ok(&link, "SELECT sum(i), count(*) FROM filled");
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "4950");
    close_cursor(&link);
    run_ok(&link, "DROP TABLE filled");
    link_close(&link);
}

/* A million rows out of a cross join of digits. */
static const char million[] =
    "WITH d(n) AS (VALUES 0,1,2,3,4,5,6,7,8,9) "
    "SELECT a.n + 10*b.n + 100*c.n + 1000*e.n + 10000*f.n + 100000*g.n AS i, 'row' AS t "
    "FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d e CROSS JOIN d f CROSS JOIN d g";

static void blocks(void **state) {
    static SQLINTEGER numbers[1000];
    static char texts[1000][8];
    static SQLLEN lengths[1000];
    Link link;
    SQLULEN fetched;
    int64_t rows = 0, sum = 0;
    SQLRETURN result;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1000, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, numbers, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 2, SQL_C_CHAR, texts, 8, lengths));
    run_ok(&link, million);
    while ((result = odbc.SQLFetch(link.stmt)) == SQL_SUCCESS) {
        for (SQLULEN i = 0; i < fetched; i++) {
            sum += numbers[i];
            assert_string_equal(texts[i], "row");
        }
        rows += (int64_t)fetched;
    }
    assert_int_equal(result, SQL_NO_DATA);
    assert_int_equal(rows, 1000000);
    assert_int_equal(sum, INT64_C(499999500000));
    link_close(&link);
}

static void metadata(void **state) {
    Link link;
    open3(&link);
    OK(odbc.SQLTables(link.stmt, (SQLCHAR *)"memory", SQL_NTS, NULL, 0, (SQLCHAR *)"peo%", SQL_NTS,
                      (SQLCHAR *)"TABLE", SQL_NTS));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 3), "people");
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLColumns(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"people", SQL_NTS, NULL, 0));
    static const char *const names[] = {"id", "name", "born", "credit"};
    for (int i = 0; i < 4; i++) {
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 4), names[i]);
    }
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    link_close(&link);
}

static int rows_of(Link *link, SQLRETURN result) {
    int rows = 0;
    OK(result);
    while ((result = odbc.SQLFetch(link->stmt)) == SQL_SUCCESS) rows++;
    assert_int_equal(result, SQL_NO_DATA);
    close_cursor(link);
    return rows;
}

/* Which arguments are patterns: all but SQLColumns' catalog; none with SQL_ATTR_METADATA_ID. */
static void patterns(void **state) {
    static const struct {
        const char *catalog, *schema, *table;
        int tables, columns;
    } cases[] = {
        {"memory", "default", "people", 1, 4},  {"memor_", "default", "people", 1, 0},
        {"m%y", NULL, "people", 1, 0},          {"memor\\_", NULL, "people", 0, 0},
        {"memory", "def_ul%", "peopl_", 1, 4},  {"memory", "default", "peopl\\_", 0, 0},
        {"memory", "default", "PEOPLE", 1, 4},  {"", NULL, "people", 0, 0},
        {"memory", NULL, "p__p%_e%", 1, 4},     {NULL, NULL, "people", 1, 4},
        {"memory", "default", "people_", 0, 0},
    };
    Link link;
    open3(&link);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SQLCHAR *catalog = (SQLCHAR *)(uintptr_t)cases[i].catalog,
                *schema = (SQLCHAR *)(uintptr_t)cases[i].schema,
                *table = (SQLCHAR *)(uintptr_t)cases[i].table;
        int tables = rows_of(&link, odbc.SQLTables(link.stmt, catalog, SQL_NTS, schema, SQL_NTS,
                                                   table, SQL_NTS, (SQLCHAR *)"TABLE", SQL_NTS));
        int columns = rows_of(&link, odbc.SQLColumns(link.stmt, catalog, SQL_NTS, schema, SQL_NTS,
                                                     table, SQL_NTS, NULL, 0));
        if (tables != cases[i].tables || columns != cases[i].columns)
            fail_msg("case %zu: %d tables, %d columns", i, tables, columns);
    }
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_METADATA_ID, (SQLPOINTER)SQL_TRUE, 0));
    assert_int_equal(
        rows_of(&link,
                odbc.SQLColumns(link.stmt, (SQLCHAR *)"MEMORY", SQL_NTS, (SQLCHAR *)"\"default\"",
                                SQL_NTS, (SQLCHAR *)"People ", SQL_NTS, (SQLCHAR *)"ID", SQL_NTS)),
        1);
    assert_int_equal(
        rows_of(&link, odbc.SQLTables(link.stmt, (SQLCHAR *)"memor_", SQL_NTS, (SQLCHAR *)"default",
                                      SQL_NTS, (SQLCHAR *)"people", SQL_NTS, NULL, 0)),
        0);
    FAILS(odbc.SQLTables(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"people", SQL_NTS, NULL, 0));
    STATE_IS(&link, "HY009");
    link_close(&link);
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void cancelling(void **state) {
    static const char endless[] = "WITH d(n) AS (VALUES 0,1,2,3,4,5,6,7,8,9) SELECT count(*) FROM "
                                  "d a, d b, d c, d e, d f, d g, "
                                  "d h, d i, d j, d k, d l, d m";
    Link link;
    Canceller canceller;
    open3(&link);
    double start = seconds();
    canceller_begin(&canceller, &odbc, link.stmt);
    SQLRETURN result = run(&link, endless);
    if (result == SQL_SUCCESS) result = odbc.SQLFetch(link.stmt);
    FAILS(result);
    STATE_IS(&link, "HY008");
    canceller_end(&canceller);
    assert_true(seconds() - start < 20); /* a busy machine */
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)1, 0));
    start = seconds();
    result = run(&link, endless);
    if (result == SQL_SUCCESS) result = odbc.SQLFetch(link.stmt);
    FAILS(result);
    STATE_IS(&link, "HYT00");
    assert_true(seconds() - start < 20);
    close_cursor(&link);
    run_ok(&link, "SELECT 1");
    link_close(&link);
}

static void several_statements(void **state) {
    Link link;
    SQLHSTMT other;
    open3(&link);
    run_ok(&link, million);
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &other));
    OK(odbc.SQLExecDirect(other, (SQLCHAR *)"SELECT name FROM people ORDER BY id", SQL_NTS));
    OK(odbc.SQLFetch(other));
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLFetch(other));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, other));
    OK(odbc.SQLFetch(link.stmt));
    link_close(&link); /* with an open cursor */
}

static void forked(void **state) {
    Link link;
#ifdef __SANITIZE_THREAD__
    skip(); /* it knows nothing of threads after a fork with threads */
#endif
    open3(&link);
    run_ok(&link, million);
    OK(odbc.SQLFetch(link.stmt));
    pid_t child = fork();
    if (child == 0) {
        int failures = odbc.SQLFetch(link.stmt) != SQL_ERROR;
        SQLHENV env;
        SQLHDBC dbc;
        SQLHSTMT stmt;
        failures += odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env) != SQL_SUCCESS;
        failures += odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) !=
                    SQL_SUCCESS;
        failures += odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc) != SQL_SUCCESS;
        failures += !SQL_SUCCEEDED(
            odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL, 0));
        failures += odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) != SQL_SUCCESS;
        failures += odbc.SQLExecDirect(stmt, (SQLCHAR *)"SELECT count(*) FROM people", SQL_NTS) !=
                    SQL_SUCCESS;
        failures += odbc.SQLFetch(stmt) != SQL_SUCCESS;
        _exit(failures);
    }
    int status = 0;
    for (int i = 0; i < 200 && waitpid(child, &status, WNOHANG) == 0; i++) usleep(50000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    OK(odbc.SQLFetch(link.stmt));
    link_close(&link);
}

static void *work(void *failed) {
    Link link;
    open3(&link);
    for (int i = 0; i < 20; i++) {
        run_ok(
            &link,
            "SELECT p.name, count(*) FROM people p CROSS JOIN people q GROUP BY p.name ORDER BY 1");
        int rows = 0;
        while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) rows++;
        if (rows != 3) __atomic_store_n((int *)failed, 1, __ATOMIC_RELAXED);
        close_cursor(&link);
    }
    link_close(&link);
    return NULL;
}

static void threads(void **state) {
    pthread_t thread[6];
    int failed = 0;
    for (int i = 0; i < 6; i++) pthread_create(&thread[i], NULL, work, &failed);
    for (int i = 0; i < 6; i++) pthread_join(thread[i], NULL);
    assert_int_equal(failed, 0);
}

static void polling(void **state) {
    Link link;
    SQLRETURN result;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
    while ((result = run(&link, "SELECT sum(id) FROM people")) == SQL_STILL_EXECUTING) usleep(1000);
    OK(result);
    while ((result = odbc.SQLFetch(link.stmt)) == SQL_STILL_EXECUTING) usleep(1000);
    OK(result);
    assert_string_equal(text_of(&link, 1), "6");
    link_close(&link);
}

static void many_times(void **state) {
    for (int i = 0; i < 200; i++) {
        Link link;
        open3(&link);
        run_ok(&link, "SELECT 1");
        OK(odbc.SQLFetch(link.stmt));
        link_close(&link);
    }
}

/* A process that ends while other threads fetch, execute and connect: it ends well, and soon. */
static void *fetch_forever(void *unused) {
    Link link;
    open3(&link);
    for (;;) {
        run_ok(&link, million);
        while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) {
        }
        close_cursor(&link);
    }
    return NULL;
}

static int exit_while_fetching(unsigned delay_us, const char *string) {
    pthread_t thread;
    snprintf(connection, sizeof connection, "%s", string);
    odbc_load(&odbc, REAL_DRIVER);
    for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, fetch_forever, NULL);
    usleep(delay_us);
    exit(0);
}

static void exits(void **state) {
    for (unsigned i = 0; i < 20; i++) {
        char delay[20];
        snprintf(delay, sizeof delay, "%u", i * 7001);
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", "test_engine", "exit", delay, connection, (char *)NULL);
            _exit(99);
        }
        int status = -1;
        for (int k = 0; k < 400 && waitpid(child, &status, WNOHANG) == 0; k++) usleep(25000);
        if (status == -1) kill(child, SIGKILL);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "exit") == 0)
        return exit_while_fetching((unsigned)strtoul(argv[2], NULL, 10), argv[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries),
        cmocka_unit_test(parameters),
        cmocka_unit_test(blocks),
        cmocka_unit_test(metadata),
        cmocka_unit_test(patterns),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(several_statements),
        cmocka_unit_test(forked),
        cmocka_unit_test(threads),
        cmocka_unit_test(polling),
        cmocka_unit_test(many_times),
        cmocka_unit_test(exits),
    };
    return cmocka_run_group_tests_name("driver with its engine", tests, load, unload);
}
