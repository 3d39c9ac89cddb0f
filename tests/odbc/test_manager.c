/*
 * test_manager.c - the driver behind unixODBC's manager, with a private folder of odbc.ini and
 * odbcinst.ini: both kinds of connection, version 2 programs, text in every locale.
 */
#include "tests/odbc/odbc_test.h"

#include <dlfcn.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static Odbc odbc;
static char folder[] = "/tmp/tributary_odbc_XXXXXX";

#define SMILE            \
    "Gr\xC3\xBC\xC3\x9F" \
    "e \xE2\x82\xAC \xF0\x9F\x98\x80"

static int load(void **state) {
    assert_non_null(mkdtemp(folder));
    file_write(folder, "odbcinst.ini",
               "[Fake]\nDriver=" FAKE_DRIVER "\nThreading=0\n[Real]\nDriver=" REAL_DRIVER
               "\nThreading=0\n");
    file_write(folder, "odbc.ini",
               "[Demo]\nDriver=Fake\nUID=ann\nCatalog=shop\n[Real]\nDriver=Real\n");
    setenv("ODBCSYSINI", folder, 1);
    setenv("ODBCINI", "/nonexistent", 1);
    odbc_load(&odbc, "libodbc.so.2");
    return 0;
}

static int unload(void **state) {
    char path[200];
    snprintf(path, sizeof path, "%s/odbcinst.ini", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/odbc.ini", folder);
    unlink(path);
    rmdir(folder);
    return 0;
}

/* The same work through ANSI calls: bytes in, the same bytes out. */
static void ansi_work(Link *link) {
    char name[50];
    SQLSMALLINT n, type;
    SQLULEN size;
    run_ok(link, "text " SMILE);
    OK(odbc.SQLNumResultCols(link->stmt, &n));
    assert_int_equal(n, 1);
    OK(odbc.SQLDescribeCol(link->stmt, 1, (SQLCHAR *)name, sizeof name, &n, &type, &size, NULL,
                           NULL));
    assert_string_equal(name, "text");
    assert_int_equal(size, 4000);
    OK(odbc.SQLFetch(link->stmt));
    assert_string_equal(text_of(link, 1), SMILE);
    assert_int_equal(odbc.SQLFetch(link->stmt), SQL_NO_DATA);
    close_cursor(link);
    FAILS(run(link, "Gr\xC3\xBC\xC3\x9F"
                    "e"));
    STATE_IS(link, "42000");
    assert_non_null(strstr(diag_message(), "'Gr\xC3\xBC\xC3\x9F"
                                           "e' is not expected here"));
    SQLLEN nts = SQL_NTS;
    OK(odbc.SQLPrepare(link->stmt, (SQLCHAR *)"echo ?", SQL_NTS));
    OK(odbc.SQLBindParameter(link->stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 50, 0, SMILE,
                             0, &nts));
    OK(odbc.SQLExecute(link->stmt));
    OK(odbc.SQLFetch(link->stmt));
    assert_string_equal(text_of(link, 1), "varchar=" SMILE);
    close_cursor(link);
    OK(odbc.SQLFreeStmt(link->stmt, SQL_RESET_PARAMS));
}

static void ansi(void **state) {
    static const char *const locales[] = {NULL, "C", "de_DE.UTF-8", "de_DE.ISO-8859-1",
                                          "tr_TR.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        Link link;
        if (locales[i] && !setlocale(LC_ALL, locales[i])) continue;
        link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", false);
        ansi_work(&link);
        link_close(&link);
        setlocale(LC_ALL, "C");
    }
}

static void unicode(void **state) {
    Link link;
    SQLWCHAR text[64], expected[] = {'a', 0xD83D, 0xDE00, 0};
    SQLLEN n;
    char name[20];
    SQLSMALLINT length;
    link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", true);
    SQLWCHAR sql[] = {'t', 'e', 'x', 't', ' ', 'a', 0xD83D, 0xDE00, 0};
    OK(odbc.SQLExecDirectW(link.stmt, sql, SQL_NTS));
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLGetData(link.stmt, 1, SQL_C_WCHAR, text, sizeof text, &n));
    assert_int_equal(n, 6);
    assert_memory_equal(text, expected, sizeof expected);
    close_cursor(&link);
    SQLWCHAR broken[] = {'t', 'e', 'x', 't', ' ', 0xD83D, 0};
    FAILS(odbc.SQLExecDirectW(link.stmt, broken, SQL_NTS));
    STATE_IS(&link, "22021");
    OK(odbc.SQLGetInfo(link.dbc, SQL_DBMS_NAME, name, sizeof name, &length));
    assert_string_equal(name, "Tributary");
    OK(odbc.SQLGetInfoW(link.dbc, SQL_USER_NAME, text, sizeof text, &length));
    assert_int_equal(text[0], 'a');
    assert_int_equal(length, 6);
    link_close(&link);
}

/* What isql does: version 2, SQLConnect, SQLPrepare, SQLColAttributes, SQLGetData. */
static void version2(void **state) {
    SQLHENV env;
    SQLHDBC dbc;
    Link link = {.odbc = &odbc};
    SQLRETURN(*column_attributes)
    (SQLHSTMT, SQLUSMALLINT, SQLUSMALLINT, SQLPOINTER, SQLSMALLINT, SQLSMALLINT *, SQLLEN *);
    SQLRETURN(*error)
    (SQLHENV, SQLHDBC, SQLHSTMT, SQLCHAR *, SQLINTEGER *, SQLCHAR *, SQLSMALLINT, SQLSMALLINT *);
    void *symbol = dlsym(odbc.library, "SQLColAttributes");
    memcpy(&column_attributes, &symbol, sizeof symbol);
    symbol = dlsym(odbc.library, "SQLError");
    memcpy(&error, &symbol, sizeof symbol);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC2, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    OK(odbc.SQLConnect(dbc, (SQLCHAR *)"Demo", SQL_NTS, (SQLCHAR *)"", 0, (SQLCHAR *)"", 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &link.stmt));
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"types", SQL_NTS));
    OK(odbc.SQLExecute(link.stmt));
    SQLLEN value;
    char label[64];
    SQLSMALLINT n, type;
    OK(column_attributes(link.stmt, 14, SQL_COLUMN_DISPLAY_SIZE, NULL, 0, NULL, &value));
    assert_int_equal(value, 10);
    OK(column_attributes(link.stmt, 14, SQL_COLUMN_LABEL, label, sizeof label, &n, NULL));
    assert_string_equal(label, "c_date");
    OK(column_attributes(link.stmt, 14, SQL_COLUMN_TYPE, NULL, 0, NULL, &value));
    assert_int_equal(value, SQL_DATE);
    OK(odbc.SQLDescribeCol(link.stmt, 16, NULL, 0, NULL, &type, NULL, NULL, NULL));
    assert_int_equal(type, SQL_TIMESTAMP);
    OK(odbc.SQLFetch(link.stmt));
    SQL_DATE_STRUCT date;
    OK(odbc.SQLGetData(link.stmt, 14, SQL_C_DATE, &date, sizeof date, &value));
    assert_int_equal(date.year, 2024);
    assert_string_equal(text_of(&link, 8), "1299.99");
    assert_int_equal(odbc.SQLMoreResults(link.stmt), SQL_NO_DATA);
    FAILS(run(&link, "fail 42S02"));
    SQLCHAR sqlstate[6], message[512];
    SQLINTEGER native;
    OK(error(env, dbc, link.stmt, sqlstate, &native, message, sizeof message, &n));
    assert_string_equal((char *)sqlstate, "S0002");
    OK(odbc.SQLTables(link.stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    int rows = 0;
    while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) rows++;
    assert_int_equal(rows, 3);
    SQLULEN fetched;
    SQLUSMALLINT status[10];
    close_cursor(&link);
    SQLINTEGER numbers[10];
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ROWSET_SIZE, (SQLPOINTER)10, 0));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, numbers, 0, NULL));
    run_ok(&link, "numbers 25");
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    assert_int_equal(fetched, 5);
    assert_int_equal(numbers[4], 24);
    assert_int_equal(status[5], SQL_ROW_NOROW);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

static void cancelling(void **state) {
    Link link;
    Canceller canceller;
    link_open(&link, &odbc, SQL_OV_ODBC3_80, "DSN=Demo", false);
    canceller_begin(&canceller, &odbc, link.stmt);
    FAILS(run(&link, "slow"));
    STATE_IS(&link, "HY008");
    canceller_end(&canceller);
    link_close(&link);
}

static void descriptors(void **state) {
    Link link;
    SQLHDESC ard;
    SQLINTEGER value = 0;
    SQLSMALLINT count;
    link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", false);
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, &ard, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, &value, 0, NULL));
    OK(odbc.SQLGetDescField(ard, 0, SQL_DESC_COUNT, &count, 0, NULL));
    assert_int_equal(count, 1);
    run_ok(&link, "numbers 3");
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_NEXT, 0));
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_NEXT, 0));
    assert_int_equal(value, 1);
    link_close(&link);
}

/* A prefork server: the child connects anew through the same manager. */
static void prefork(void **state) {
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", false);
    pid_t child = fork();
    if (child == 0) {
        SQLHDBC dbc;
        SQLHSTMT stmt;
        int failures = odbc.SQLAllocHandle(SQL_HANDLE_DBC, link.env, &dbc) != SQL_SUCCESS;
        failures +=
            odbc.SQLConnect(dbc, (SQLCHAR *)"Demo", SQL_NTS, NULL, 0, NULL, 0) != SQL_SUCCESS;
        failures += odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) != SQL_SUCCESS;
        failures += odbc.SQLExecDirect(stmt, (SQLCHAR *)"numbers 2", SQL_NTS) != SQL_SUCCESS;
        failures += odbc.SQLFetch(stmt) != SQL_SUCCESS;
        failures += odbc.SQLExecDirect(link.stmt, (SQLCHAR *)"numbers 2", SQL_NTS) != SQL_ERROR;
        _exit(failures);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    run_ok(&link, "numbers 2");
    link_close(&link);
}

/* The manager's cursor library, as PHP asks for it: SQLGetData reads the row again, on a statement of its own. */
static void cursor_library(void **state) {
    Link link = {.odbc = &odbc};
    char text[100];
    SQLLEN length;
    SQLINTEGER id = 0;
    file_write(folder, "config.json", "{\"catalogs\": {\"memory\": {\"type\": \"memory\"}}}");
    snprintf(text, sizeof text, "DSN=Real;Config=%s/config.json;Catalog=memory", folder);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &link.env));
    OK(odbc.SQLSetEnvAttr(link.env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, link.env, &link.dbc));
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ODBC_CURSORS, (SQLPOINTER)SQL_CUR_USE_ODBC, 0));
    SQLRETURN result = odbc.SQLDriverConnect(link.dbc, NULL, (SQLCHAR *)text, SQL_NTS, NULL, 0,
                                             NULL, SQL_DRIVER_NOPROMPT);
    assert_true(SQL_SUCCEEDED(result));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &link.stmt));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    run_ok(&link, "CREATE TABLE words (id integer, word text)");
    run_ok(&link, "INSERT INTO words VALUES (1, 'one'), (2, 'two')");
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, &id, 0, &length));
    run_ok(&link, "SELECT id, word FROM words");
    for (int row = 0; row < 2; row++) {
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 2), id == 1 ? "one" : "two");
    }
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLFreeStmt(link.stmt, SQL_UNBIND));
    run_ok(&link, "DROP TABLE words");
    link_close(&link);
    snprintf(text, sizeof text, "%s/config.json", folder);
    unlink(text);
}

static void again_and_again(void **state) {
    for (int i = 0; i < 300; i++) {
        Link link;
        link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", i % 2);
        run_ok(&link, "numbers 1");
        OK(odbc.SQLFetch(link.stmt));
        link_close(&link);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ansi),           cmocka_unit_test(unicode),
        cmocka_unit_test(version2),       cmocka_unit_test(cancelling),
        cmocka_unit_test(descriptors),    cmocka_unit_test(prefork),
        cmocka_unit_test(cursor_library), cmocka_unit_test(again_and_again),
    };
    return cmocka_run_group_tests_name("driver behind the manager", tests, load, unload);
}
