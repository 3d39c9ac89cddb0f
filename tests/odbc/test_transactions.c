/*
 * test_transactions.c - transactions as ODBC tells them: autocommit off and on, SQLEndTran on connections
 * and environments, isolation levels, what SQLGetInfo says, connections that only read, a second catalog,
 * disconnecting with an open transaction, pooling's reset; on memory and SQLite catalogs.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

static Odbc odbc;
static char config[] = "/tmp/tributary_config_XXXXXX";
static char database[] = "/tmp/tributary_database_XXXXXX";
static char connections[2][600]; /* by default catalog: memory, lite */
static const char *const catalogs[2] = {"memory", "lite"};

static int load(void **state) {
    char text[600];
    file_new(database, "");
    snprintf(text, sizeof text,
             "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" }, \"other\": { \"type\": "
             "\"memory\" }, \"lite\": { \"type\": \"sqlite\", \"path\": \"%s\", \"mode\": "
             "\"readwrite\" } } }\n",
             database);
    file_new(config, text);
    for (int i = 0; i < 2; i++)
        connection_string(connections[i], sizeof connections[i], config, CONNECTOR_PATH,
                          catalogs[i]);
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    unlink(config);
    unlink(database);
    return 0;
}

static void open3(Link *link, int which) {
    link_open(link, &odbc, SQL_OV_ODBC3, connections[which], false);
}

static void autocommit(Link *link, SQLULEN value) {
    OK(odbc.SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)value, 0));
}

static uint32_t info(Link *link, SQLUSMALLINT type) {
    uint32_t value = 0;
    OK(odbc.SQLGetInfo(link->dbc, type, &value, sizeof value, NULL));
    return value;
}

/* A table of its own per test; in autocommit mode. */
static void table_new(Link *link) {
    run_ok(link, "CREATE TABLE changes (id integer)");
}

static void count_is(Link *link, const char *expected) {
    run_ok(link, "SELECT count(*) FROM changes");
    OK(odbc.SQLFetch(link->stmt));
    assert_string_equal(text_of(link, 1), expected);
    close_cursor(link);
}

static void insert(Link *link, const char *values) {
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO changes VALUES %s", values);
    run_ok(link, sql);
}

static void end(Link *link, SQLSMALLINT completion) {
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link->dbc, completion));
}

static void link_end(Link *link) {
    end(link, SQL_ROLLBACK);
    autocommit(link, SQL_AUTOCOMMIT_ON);
    run_ok(link, "DROP TABLE changes");
    link_close(link);
}

/* ---- tests, for each catalog */

static void information(int which) {
    Link link;
    SQLUINTEGER level = 0;
    open3(&link, which);
    uint32_t capable = info(&link, SQL_TXN_CAPABLE), levels = info(&link, SQL_TXN_ISOLATION_OPTION),
             own = info(&link, SQL_DEFAULT_TXN_ISOLATION);
    assert_int_equal(capable, SQL_TC_ALL);
    assert_int_not_equal(own, 0);
    assert_int_equal(levels & own, own);
    OK(odbc.SQLGetConnectAttr(link.dbc, SQL_ATTR_TXN_ISOLATION, &level, 0, NULL));
    assert_int_equal(level, own);
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_TXN_ISOLATION, (SQLPOINTER)(uintptr_t)own, 0));
    FAILS(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_TXN_ISOLATION, (SQLPOINTER)3, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY024");
    link_close(&link);
}

static void commit_and_rollback(int which) {
    Link link, reader;
    open3(&link, which);
    open3(&reader, which);
    table_new(&link);
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    insert(&link, "(1), (2)");
    SQLLEN rows = 0;
    OK(odbc.SQLRowCount(link.stmt, &rows));
    assert_int_equal(rows, 2);
    count_is(&link, "2"); /* a transaction sees its own writes, */
    end(&link, SQL_ROLLBACK);
    count_is(&link, "0");
    insert(&link, "(3)");
    end(&link, SQL_COMMIT);
    count_is(&reader, "1");
    end(&link, SQL_COMMIT); /* nothing to end */
    insert(&link, "(4)");
    autocommit(&link, SQL_AUTOCOMMIT_ON); /* commits */
    count_is(&reader, "2");
    insert(&link, "(5)");
    count_is(&reader, "3");
    link_close(&reader);
    link_end(&link);
}

static void disconnect_with_changes(int which) {
    Link link, reader;
    SQLUINTEGER level = 0;
    open3(&link, which);
    table_new(&link);
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    insert(&link, "(1)");
    FAILS(odbc.SQLDisconnect(link.dbc));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "25000");
    OK(odbc.SQLGetConnectAttr(link.dbc, SQL_ATTR_TXN_ISOLATION, &level, 0, NULL));
    FAILS(
        odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_TXN_ISOLATION, (SQLPOINTER)(uintptr_t)level, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY011");
    count_is(&link, "1"); /* everything is still there */
    end(&link, SQL_ROLLBACK);
    link_close(&link);
    open3(&reader, which);
    count_is(&reader, "0");
    /* pooling rolls back what its borrower left */
    autocommit(&reader, SQL_AUTOCOMMIT_OFF);
    insert(&reader, "(2)");
    OK(odbc.SQLSetConnectAttr(reader.dbc, SQL_ATTR_RESET_CONNECTION,
                              (SQLPOINTER)SQL_RESET_CONNECTION_YES, 0));
    SQLUINTEGER on = 9;
    OK(odbc.SQLGetConnectAttr(reader.dbc, SQL_ATTR_AUTOCOMMIT, &on, 0, NULL));
    assert_int_equal(on, SQL_AUTOCOMMIT_ON);
    count_is(&reader, "0");
    link_end(&reader);
}

/* A statement that fails takes back its own part only. */
static void failing_statement(int which) {
    Link link;
    SQLINTEGER ids[3] = {1, 2, 3};
    SQLLEN lengths[3] = {0, SQL_NULL_DATA, 0};
    SQLUSMALLINT status[3] = {9, 9, 9};
    open3(&link, which);
    run_ok(&link, "CREATE TABLE changes (id integer NOT NULL)");
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    insert(&link, "(0)");
    FAILS(run(&link, "INSERT INTO changes VALUES (7), (NULL)"));
    STATE_IS(&link, "23000");
    count_is(&link, "1");
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0,
                             lengths));
    INFO(run(&link, "INSERT INTO changes VALUES (?)"));
    assert_int_equal(status[0], SQL_PARAM_SUCCESS);
    assert_int_equal(status[1], SQL_PARAM_ERROR);
    assert_int_equal(status[2], SQL_PARAM_SUCCESS);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0));
    count_is(&link, "3");
    end(&link, SQL_ROLLBACK);
    count_is(&link, "0");
    link_end(&link);
}

static void environments(int which) {
    Link link, second;
    open3(&link, which);
    table_new(&link);
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    second = (Link){.odbc = &odbc, .env = link.env};
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, link.env, &second.dbc)); /* not connected */
    insert(&link, "(1)");
    OK(odbc.SQLEndTran(SQL_HANDLE_ENV, link.env, SQL_COMMIT));
    insert(&link, "(2)");
    OK(odbc.SQLEndTran(SQL_HANDLE_ENV, link.env, SQL_ROLLBACK));
    count_is(&link, "1");
    FAILS(odbc.SQLEndTran(SQL_HANDLE_ENV, link.env, 7));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_ENV, link.env), "HY012");
    FAILS(odbc.SQLEndTran(SQL_HANDLE_DBC, second.dbc, SQL_COMMIT));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, second.dbc), "08003");
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, second.dbc));
    link_end(&link);
}

static void waiting_statement(int which) {
    Link link;
    SQLLEN waits = SQL_DATA_AT_EXEC;
    SQLINTEGER id;
    SQLPOINTER token;
    open3(&link, which);
    table_new(&link);
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0,
                             &waits));
    assert_int_equal(run(&link, "INSERT INTO changes VALUES (?)"), SQL_NEED_DATA);
    FAILS(odbc.SQLEndTran(SQL_HANDLE_DBC, link.dbc, SQL_COMMIT));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY010");
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    id = 5;
    OK(odbc.SQLPutData(link.stmt, &id, sizeof id));
    OK(odbc.SQLParamData(link.stmt, &token));
    link_end(&link);
}

/* Everything that writes is refused with 25006, at once and prepared, and nothing of it is done. */
static void writes_refused(Link *link) {
    static const char *const writes[] = {
        "INSERT INTO changes VALUES (9)",
        "INSERT INTO changes DEFAULT VALUES",
        "INSERT INTO changes SELECT 9",
        "UPDATE changes SET id = 2",
        "UPDATE changes SET id = id + 1 WHERE id IN (SELECT id FROM changes)",
        "DELETE FROM changes",
        "DELETE FROM changes WHERE id = 1",
        ("MERGE INTO changes c USING (VALUES 9) s (id) ON c.id = s.id "
         "WHEN NOT MATCHED THEN INSERT VALUES (s.id)"),
        "TRUNCATE TABLE changes",
        "CREATE TABLE refused (id integer)",
        "CREATE TABLE refused AS SELECT 1 AS id",
        "CREATE TABLE IF NOT EXISTS changes (id integer)",
        "CREATE INDEX refused ON changes (id)",
        "ALTER TABLE changes ADD COLUMN refused integer",
        "ALTER TABLE changes RENAME TO refused",
        "DROP TABLE changes",
        "DROP TABLE IF EXISTS not_there",
        "CREATE SCHEMA refused",
        "EXPLAIN ANALYZE DELETE FROM changes",
    };
    count_is(link, "1");
    for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
        FAILS(run(link, writes[i]));
        STATE_IS(link, "25006");
        OK(odbc.SQLPrepare(link->stmt, (SQLCHAR *)writes[i], SQL_NTS));
        FAILS(odbc.SQLExecute(link->stmt));
        STATE_IS(link, "25006");
    }
    count_is(link, "1");
}

static void read_only(int which) {
    Link link;
    char refusing[700], text[4] = "";
    open3(&link, which);
    table_new(&link);
    insert(&link, "(7)");
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_ONLY, 0));
    writes_refused(&link);
    FAILS(run(&link, "SET SESSION read_only = false"));
    OK(odbc.SQLGetInfo(link.dbc, SQL_DATA_SOURCE_READ_ONLY, text, sizeof text, NULL));
    assert_string_equal(text, "Y");
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE, 0));
    insert(&link, "(1)");
    run_ok(&link, "DELETE FROM changes WHERE id = 1");
    run_ok(&link, "START TRANSACTION READ ONLY");
    writes_refused(&link);
    run_ok(&link, "ROLLBACK");
    /* ReadOnly stands above what the program asks for */
    snprintf(refusing, sizeof refusing, "%s;ReadOnly=1", connections[which]);
    Link refused;
    link_open(&refused, &odbc, SQL_OV_ODBC3, refusing, false);
    OK(odbc.SQLSetConnectAttr(refused.dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE,
                              0));
    writes_refused(&refused);
    FAILS(run(&refused, "SET SESSION read_only = false"));
    autocommit(&refused, SQL_AUTOCOMMIT_OFF);
    writes_refused(&refused);
    link_close(&refused);
    link_end(&link);
}

static void second_catalog(int which) {
    Link link;
    open3(&link, which);
    table_new(&link);
    run_ok(&link, "CREATE TABLE other.default.elsewhere (id integer)");
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    insert(&link, "(1)");
    FAILS(run(&link, "INSERT INTO other.default.elsewhere VALUES (1)"));
    STATE_IS(&link, "25000");
    run_ok(&link, "SELECT count(*) FROM other.default.elsewhere"); /* reading is allowed */
    close_cursor(&link);
    count_is(&link, "1");
    end(&link, SQL_COMMIT);
    run_ok(&link, "INSERT INTO other.default.elsewhere VALUES (1)");
    end(&link, SQL_COMMIT);
    autocommit(&link, SQL_AUTOCOMMIT_ON);
    run_ok(&link, "DROP TABLE other.default.elsewhere");
    link_end(&link);
}

static void refused(Link *link, const char *sql, const char *state) {
    FAILS(run(link, sql));
    STATE_IS(link, state);
}

/* What a transaction has made of tables is its own until it ends, in every connection's metadata. */
static void uncommitted_tables(int which) {
    Link link, reader;
    open3(&link, which);
    open3(&reader, which);
    table_new(&link);
    count_is(&reader, "0");
    autocommit(&link, SQL_AUTOCOMMIT_OFF);
    run_ok(&link, "CREATE TABLE fresh (id integer)");
    run_ok(&link, "INSERT INTO fresh VALUES (1)");
    run_ok(&link, "ALTER TABLE changes ADD COLUMN b integer");
    run_ok(&link, "SELECT b FROM changes, fresh");
    close_cursor(&link);
    refused(&reader, "SELECT * FROM fresh", "42S02");
    refused(&reader, "SELECT b FROM changes", "42S22");
    end(&link, SQL_ROLLBACK);
    refused(&link, "SELECT * FROM fresh", "42S02");
    refused(&link, "SELECT b FROM changes", "42S22");
    count_is(&link, "0");
    run_ok(&link, "ALTER TABLE changes ADD COLUMN b integer");
    end(&link, SQL_COMMIT);
    run_ok(&reader, "SELECT b FROM changes");
    close_cursor(&reader);
    link_close(&reader);
    link_end(&link);
}

#define ON(catalog, which, test)                    \
    static void test##_on_##catalog(void **state) { \
        test(which);                                \
    }
#define ON_BOTH(test) ON(memory, 0, test) ON(sqlite, 1, test)
ON_BOTH(information)
ON_BOTH(commit_and_rollback)
ON_BOTH(disconnect_with_changes)
ON_BOTH(failing_statement)
ON_BOTH(environments)
ON_BOTH(waiting_statement)
ON_BOTH(read_only)
ON_BOTH(second_catalog)
ON_BOTH(uncommitted_tables)

#define TESTS_OF(catalog)                                                                        \
    cmocka_unit_test(information_on_##catalog),                                                  \
        cmocka_unit_test(commit_and_rollback_on_##catalog),                                      \
        cmocka_unit_test(disconnect_with_changes_on_##catalog),                                  \
        cmocka_unit_test(failing_statement_on_##catalog),                                        \
        cmocka_unit_test(environments_on_##catalog),                                             \
        cmocka_unit_test(waiting_statement_on_##catalog),                                        \
        cmocka_unit_test(read_only_on_##catalog), cmocka_unit_test(second_catalog_on_##catalog), \
        cmocka_unit_test(uncommitted_tables_on_##catalog)

int main(void) {
    const struct CMUnitTest memory[] = {TESTS_OF(memory)};
    const struct CMUnitTest sqlite[] = {TESTS_OF(sqlite)};
    int failed = cmocka_run_group_tests(memory, load, NULL);
    failed += cmocka_run_group_tests(sqlite, NULL, NULL);
    unload(NULL);
    return failed;
}
