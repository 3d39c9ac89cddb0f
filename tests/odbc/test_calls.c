/*
 * test_calls.c - the driver's calls against an engine of canned results, without the manager:
 * handles, states, diagnostics, attributes, descriptors, parameters, catalog functions, cancelling,
 * asynchronous polling, fork.
 */
#include <stdbool.h>

#include "tests/odbc/odbc_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Odbc odbc;

static int load(void **state) {
    odbc_load(&odbc, FAKE_DRIVER);
    return 0;
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, "Driver=fake", false);
}

/* ---- handles */

static void handles_misused(void **state) {
    Link link;
    SQLHANDLE out = NULL;
    open3(&link);
    SQLHANDLE garbage[] = {NULL,
                           &link,
                           (SQLHANDLE)(uintptr_t)1,
                           (SQLHANDLE)(uintptr_t)0x7fffffffffff,
                           (SQLHANDLE)(uintptr_t)-1,
                           (SQLHANDLE)(uintptr_t)0xdeadbeefcafef00d};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        assert_int_equal(odbc.SQLFetch(garbage[i]), SQL_INVALID_HANDLE);
        assert_int_equal(odbc.SQLCancel(garbage[i]), SQL_INVALID_HANDLE);
        assert_int_equal(odbc.SQLDisconnect(garbage[i]), SQL_INVALID_HANDLE);
        assert_int_equal(odbc.SQLFreeHandle(SQL_HANDLE_ENV, garbage[i]), SQL_INVALID_HANDLE);
        assert_int_equal(odbc.SQLAllocHandle(SQL_HANDLE_STMT, garbage[i], &out),
                         SQL_INVALID_HANDLE);
        assert_int_equal(odbc.SQLGetDescField(garbage[i], 0, SQL_DESC_COUNT, NULL, 0, NULL),
                         SQL_INVALID_HANDLE);
    }
    assert_int_equal(odbc.SQLFetch(link.dbc), SQL_INVALID_HANDLE);
    assert_int_equal(odbc.SQLFetch(link.env), SQL_INVALID_HANDLE);
    assert_int_equal(odbc.SQLDisconnect(link.stmt), SQL_INVALID_HANDLE);
    SQLHSTMT freed = link.stmt;
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
    assert_int_equal(odbc.SQLFetch(freed), SQL_INVALID_HANDLE);
    assert_int_equal(odbc.SQLFreeHandle(SQL_HANDLE_STMT, freed), SQL_INVALID_HANDLE);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &link.stmt)); /* the slot is used again */
    assert_int_equal(odbc.SQLFetch(freed), SQL_INVALID_HANDLE);
    FAILS(odbc.SQLFreeHandle(SQL_HANDLE_DBC, link.dbc));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY010");
    FAILS(odbc.SQLFreeHandle(SQL_HANDLE_ENV, link.env));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_ENV, link.env), "HY010");
    SQLHSTMT open = link.stmt;
    OK(odbc.SQLDisconnect(link.dbc)); /* frees what was made from it */
    assert_int_equal(odbc.SQLFetch(open), SQL_INVALID_HANDLE);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, link.dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, link.env));
}

static void version_first(void **state) {
    SQLHENV env;
    SQLHDBC dbc;
    SQLINTEGER version = 0;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    FAILS(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_ENV, env), "HY010");
    FAILS(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)17, 0));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC2, 0));
    OK(odbc.SQLGetEnvAttr(env, SQL_ATTR_ODBC_VERSION, &version, 0, NULL));
    assert_int_equal(version, SQL_OV_ODBC2);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    SQLHSTMT stmt;
    FAILS(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "08003");
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

/* ---- the state table */

typedef SQLRETURN (*StateCall)(Link *link);
static SQLRETURN c_fetch(Link *l) {
    return odbc.SQLFetch(l->stmt);
}
static SQLRETURN c_execute(Link *l) {
    return odbc.SQLExecute(l->stmt);
}
static SQLRETURN c_prepare(Link *l) {
    return odbc.SQLPrepare(l->stmt, (SQLCHAR *)"text x", SQL_NTS);
}
static SQLRETURN c_close(Link *l) {
    return odbc.SQLCloseCursor(l->stmt);
}
static SQLRETURN c_getdata(Link *l) {
    char b[100];
    SQLLEN n;
    return odbc.SQLGetData(l->stmt, 1, SQL_C_CHAR, b, sizeof b, &n);
}
static SQLRETURN c_rowcount(Link *l) {
    SQLLEN n;
    return odbc.SQLRowCount(l->stmt, &n);
}
static SQLRETURN c_cols(Link *l) {
    SQLSMALLINT n;
    return odbc.SQLNumResultCols(l->stmt, &n);
}
static SQLRETURN c_describe(Link *l) {
    SQLSMALLINT t;
    return odbc.SQLDescribeCol(l->stmt, 1, NULL, 0, NULL, &t, NULL, NULL, NULL);
}
static SQLRETURN c_numparams(Link *l) {
    SQLSMALLINT n;
    return odbc.SQLNumParams(l->stmt, &n);
}
static SQLRETURN c_paramdata(Link *l) {
    SQLPOINTER p;
    return odbc.SQLParamData(l->stmt, &p);
}
static SQLRETURN c_putdata(Link *l) {
    return odbc.SQLPutData(l->stmt, "x", 1);
}
static SQLRETURN c_tables(Link *l) {
    return odbc.SQLTables(l->stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0);
}
static SQLRETURN c_setpos(Link *l) {
    return odbc.SQLSetPos(l->stmt, 1, SQL_POSITION, SQL_LOCK_NO_CHANGE);
}
static SQLRETURN c_extended(Link *l) {
    SQLULEN n;
    return odbc.SQLExtendedFetch(l->stmt, SQL_FETCH_NEXT, 0, &n, NULL);
}
static SQLRETURN c_cursorname(Link *l) {
    return odbc.SQLSetCursorName(l->stmt, (SQLCHAR *)"mine", SQL_NTS);
}
static SQLRETURN c_more(Link *l) {
    return odbc.SQLMoreResults(l->stmt);
}

/* Brings a fresh statement into S1 .. S9. */
static void enter_state(Link *link, int state) {
    static char data[8];
    static SQLLEN at_execution = SQL_DATA_AT_EXEC;
    SQLPOINTER token;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
    switch (state) {
    case 1: return;
    case 2: OK(odbc.SQLPrepare(link->stmt, (SQLCHAR *)"command", SQL_NTS)); return;
    case 3: OK(odbc.SQLPrepare(link->stmt, (SQLCHAR *)"numbers 5", SQL_NTS)); return;
    case 4: run_ok(link, "write 3"); return;
    case 5: run_ok(link, "numbers 5"); return;
    case 6:
        run_ok(link, "numbers 5");
        OK(odbc.SQLFetch(link->stmt));
        return;
    case 7:
        run_ok(link, "numbers 5");
        OK(c_extended(link));
        return;
    default:
        OK(odbc.SQLBindParameter(link->stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0,
                                 data, 8, &at_execution));
        assert_int_equal(run(link, "echo ?"), SQL_NEED_DATA);
        if (state >= 9) assert_int_equal(odbc.SQLParamData(link->stmt, &token), SQL_NEED_DATA);
        if (state >= 10) OK(odbc.SQLPutData(link->stmt, "abc", 3));
    }
}

static void states(void **unused) {
    /* expected SQLSTATE per state S1..S10; "" = allowed */
    static const struct {
        const char *name;
        StateCall call;
        const char *states[10];
    } rows[] = {
        {"SQLFetch",
         c_fetch,
         {"HY010", "HY010", "HY010", "24000", "", "", "HY010", "HY010", "HY010", "HY010"}},
        {"SQLExecute",
         c_execute,
         {"HY010", "", "", "HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "HY010"}},
        {"SQLPrepare",
         c_prepare,
         {"", "", "", "", "24000", "24000", "24000", "HY010", "HY010", "HY010"}},
        {"SQLCloseCursor",
         c_close,
         {"24000", "24000", "24000", "24000", "", "", "", "HY010", "HY010", "HY010"}},
        {"SQLGetData",
         c_getdata,
         {"HY010", "HY010", "HY010", "24000", "24000", "", "", "HY010", "HY010", "HY010"}},
        {"SQLRowCount",
         c_rowcount,
         {"HY010", "HY010", "HY010", "", "", "", "", "HY010", "HY010", "HY010"}},
        {"SQLNumResultCols", c_cols, {"HY010", "", "", "", "", "", "", "HY010", "HY010", "HY010"}},
        {"SQLDescribeCol",
         c_describe,
         {"HY010", "07005", "", "24000", "", "", "", "HY010", "HY010", "HY010"}},
        {"SQLNumParams", c_numparams, {"HY010", "", "", "", "", "", "", "HY010", "HY010", "HY010"}},
        {"SQLParamData",
         c_paramdata,
         {"HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "need", "HY010", ""}},
        {"SQLPutData",
         c_putdata,
         {"HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "HY010", "", ""}},
        {"SQLTables",
         c_tables,
         {"", "", "", "", "24000", "24000", "24000", "HY010", "HY010", "HY010"}},
        {"SQLSetPos",
         c_setpos,
         {"HY010", "HY010", "HY010", "24000", "24000", "", "", "HY010", "HY010", "HY010"}},
        {"SQLExtendedFetch",
         c_extended,
         {"HY010", "HY010", "HY010", "24000", "", "HY010", "", "HY010", "HY010", "HY010"}},
        {"SQLSetCursorName",
         c_cursorname,
         {"", "", "", "24000", "24000", "24000", "24000", "HY010", "HY010", "HY010"}},
        {"SQLMoreResults",
         c_more,
         {"none", "none", "none", "none", "none", "none", "none", "HY010", "HY010", "HY010"}},
    };
    Link link;
    open3(&link);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int s = 1; s <= 10; s++) {
            enter_state(&link, s);
            const char *expected = rows[r].states[s - 1];
            SQLRETURN result = rows[r].call(&link);
            const char *got = result == SQL_ERROR ? diag_of(&odbc, SQL_HANDLE_STMT, link.stmt) : "";
            if (strcmp(expected, "need") == 0 && result == SQL_NEED_DATA) expected = "";
            if (strcmp(expected, "none") == 0 && result == SQL_NO_DATA) expected = "";
            if (strcmp(got, expected) != 0)
                fail_msg("%s in S%d: %d '%s', expected '%s'", rows[r].name, s, result, got,
                         expected);
            OK(odbc.SQLCancel(link.stmt));
            OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
        }
    }
    link.stmt = NULL;
    link_close(&link);
}

static void connection_states(void **state) {
    Link link;
    char text[64];
    SQLSMALLINT n;
    open3(&link);
    FAILS(odbc.SQLDriverConnect(link.dbc, NULL, (SQLCHAR *)"Driver=x", SQL_NTS, NULL, 0, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "08002");
    OK(odbc.SQLDisconnect(link.dbc));
    FAILS(odbc.SQLDisconnect(link.dbc));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "08003");
    FAILS(odbc.SQLGetInfo(link.dbc, SQL_DBMS_NAME, text, sizeof text, &n));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "08003");
    FAILS(odbc.SQLEndTran(SQL_HANDLE_DBC, link.dbc, SQL_COMMIT));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, link.dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, link.env));
}

/* ---- connecting */

static void connection_strings(void **state) {
    SQLHENV env;
    SQLHDBC dbc;
    char out[256], catalog[64], user[64];
    SQLSMALLINT length;
    SQLINTEGER catalog_length;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    const char *string = " driver = {fake; one} ; "
                         "UID=ann;PWD={se}}cret;x};DATABASE=shop;Wrong=1;;TimeZone=UTC;uid=second";
    INFO(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)(uintptr_t)string, SQL_NTS, (SQLCHAR *)out,
                               sizeof out, &length, SQL_DRIVER_NOPROMPT));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "01S00");
    assert_string_equal(out, "Driver={fake; one};UID=ann;Catalog=shop;TimeZone=UTC");
    assert_int_equal(length, strlen(out));
    OK(odbc.SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, catalog, sizeof catalog,
                              &catalog_length));
    assert_string_equal(catalog, "shop");
    OK(odbc.SQLSetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, "memory", SQL_NTS));
    OK(odbc.SQLGetInfo(dbc, SQL_DATABASE_NAME, catalog, sizeof catalog, NULL));
    assert_string_equal(catalog, "memory");
    OK(odbc.SQLGetInfo(dbc, SQL_USER_NAME, user, sizeof user, NULL));
    assert_string_equal(user, "ann");
    OK(odbc.SQLDisconnect(dbc));
    INFO(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"Driver=fake;UID=somebody", SQL_NTS,
                               (SQLCHAR *)out, 10, &length, SQL_DRIVER_NOPROMPT)); /* cut */
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "01004");
    assert_string_equal(out, "Driver=fa");
    assert_int_equal(length, strlen("Driver=fake;UID=somebody"));
    OK(odbc.SQLDisconnect(dbc));
    const struct {
        const char *string, *state;
    } wrong[] = {{"Driver=fake;TimeZone=nowhere", "22023"},
                 {"Driver={fake", "HY000"},
                 {"justtext", "HY000"},
                 {"Driver={a}b", "HY000"},
                 {"DSN=NoSuchSource", "08001"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        FAILS(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)(uintptr_t)wrong[i].string, SQL_NTS, NULL,
                                    0, NULL, 0));
        assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), wrong[i].state);
    }
    FAILS(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"Driver=fake", SQL_NTS, NULL, 0, NULL, 9));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "HY110");
    FAILS(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"Driver=fake", -7, NULL, 0, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "HY090");
    FAILS(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"Driver=f\xFF", SQL_NTS, NULL, 0, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "22021");
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

/* The catalog is asked for where there is a choice; an answer that is wrong ends it. */
static void browsing(void **state) {
    SQLHENV env;
    SQLHDBC dbc;
    char out[200];
    SQLSMALLINT length;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
#define BROWSE(text)                                                                              \
    odbc.SQLBrowseConnect(dbc, (SQLCHAR *)(uintptr_t)(text), SQL_NTS, (SQLCHAR *)out, sizeof out, \
                          &length)
    OK(BROWSE("Driver=fake;UID=ann;PWD=secret;DATABASE=shop"));
    assert_string_equal(out, "Driver=fake;UID=ann;Catalog=shop");
    OK(odbc.SQLDisconnect(dbc));
    for (int answer = 0; answer < 4; answer++) {
        assert_int_equal(BROWSE("Driver=fake;UID=browser;PWD=secret"), SQL_NEED_DATA);
        assert_string_equal(out, "*Catalog:Catalog={shop,memory}");
        assert_int_equal(length, strlen(out));
        switch (answer) {
        case 0:
            OK(BROWSE("Catalog=memory"));
            assert_string_equal(out, "Driver=fake;UID=browser;Catalog=memory");
            OK(odbc.SQLGetInfo(dbc, SQL_DATABASE_NAME, out, sizeof out, NULL));
            assert_string_equal(out, "memory");
            break;
        case 1: /* it may be left open */
            INFO(BROWSE("Colour=red"));
            assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "01S00");
            assert_string_equal(out, "Driver=fake;UID=browser");
            break;
        case 2:
            FAILS(BROWSE("Catalog=nowhere"));
            assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "3D000");
            continue;
        default: break; /* disconnecting ends it too */
        }
        OK(odbc.SQLDisconnect(dbc));
    }
    assert_int_equal(odbc.SQLBrowseConnectW(dbc, wide("Driver=fake;UID=browser"), SQL_NTS,
                                            (SQLWCHAR *)out, 10, &length),
                     SQL_NEED_DATA);
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "01004");
    assert_int_equal(length, strlen("*Catalog:Catalog={shop,memory}"));
    OK(odbc.SQLDisconnect(dbc));
#undef BROWSE
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

static void data_source(void **state) {
    SQLHENV env;
    SQLHDBC dbc;
    char name[] = "/tmp/odbc_ini_XXXXXX", out[200];
    SQLSMALLINT length;
    const char *ini = "# comment\n[Other]\nUID=wrong\n[ Shop ]\r\nDriver = /x/y.so\nUID= "
                      "bob\nCatalog=shop\nDescription=a shop\n"
                      "[Next]\nUID=no\n";
    file_new(name, ini);
    setenv("ODBCINI", name, 1);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    OK(odbc.SQLConnect(dbc, (SQLCHAR *)"shop", SQL_NTS, NULL, 0, NULL, 0));
    OK(odbc.SQLGetInfo(dbc, SQL_USER_NAME, out, sizeof out, NULL));
    assert_string_equal(out, "bob");
    OK(odbc.SQLGetInfo(dbc, SQL_DATA_SOURCE_NAME, out, sizeof out, NULL));
    assert_string_equal(out, "shop");
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLConnectW(dbc, wide("Shop"), SQL_NTS, wide("eve"), SQL_NTS, wide("pw"), 2));
    OK(odbc.SQLGetInfo(dbc, SQL_USER_NAME, out, sizeof out, NULL));
    assert_string_equal(out, "eve");
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"DSN=Shop;UID=al", SQL_NTS, (SQLCHAR *)out,
                             sizeof out, &length, 0));
    assert_string_equal(out, "DSN=Shop;UID=al;Catalog=shop");
    OK(odbc.SQLDisconnect(dbc));
    FAILS(odbc.SQLConnect(dbc, (SQLCHAR *)"Nowhere", SQL_NTS, NULL, 0, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "08001");
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
    unlink(name);
    unsetenv("ODBCINI");
}

/* ---- diagnostics */

static void diagnostics(void **state) {
    Link link;
    char text[1000];
    SQLWCHAR wide_text[20];
    SQLSMALLINT length;
    SQLINTEGER native, number;
    SQLRETURN code;
    open3(&link);
    FAILS(run(&link, "fail 42S02"));
    OK(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link.stmt, 1, (SQLCHAR *)text, &native,
                          (SQLCHAR *)text + 10, 900, &length));
    assert_string_equal(text, "42S02");
    assert_int_equal(native, 1146);
    assert_string_equal(text + 10, "[Tributary][ODBC][shop] table 'nothing' does not exist");
    INFO(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link.stmt, 1, NULL, NULL, (SQLCHAR *)text, 12,
                            &length));
    assert_string_equal(text, "[Tributary]");
    assert_int_equal(length, 54);
    memset(wide_text, 0x55, sizeof wide_text);
    INFO(odbc.SQLGetDiagRecW(SQL_HANDLE_STMT, link.stmt, 1, NULL, NULL, wide_text, 5, &length));
    assert_int_equal(wide_text[4], 0);
    assert_int_equal(wide_text[5], 0x5555); /* not beyond what was said */
    assert_int_equal(length, 54);
    assert_int_equal(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link.stmt, 2, NULL, NULL, NULL, 0, NULL),
                     SQL_NO_DATA);
    FAILS(odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link.stmt, 0, NULL, NULL, NULL, 0, NULL));
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 0, SQL_DIAG_NUMBER, &number, 0, NULL));
    assert_int_equal(number, 1);
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 0, SQL_DIAG_RETURNCODE, &code, 0, NULL));
    assert_int_equal(code, SQL_ERROR);
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 1, SQL_DIAG_SERVER_NAME, text, 100,
                            &length));
    assert_string_equal(text, "shop");
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 1, SQL_DIAG_SUBCLASS_ORIGIN, text, 100,
                            &length));
    assert_string_equal(text, "ODBC 3.0");
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 1, SQL_DIAG_CLASS_ORIGIN, text, 100,
                            &length));
    assert_string_equal(text, "ISO 9075");
    OK(odbc.SQLGetDiagFieldW(SQL_HANDLE_STMT, link.stmt, 1, SQL_DIAG_SQLSTATE, wide_text,
                             sizeof wide_text, &length));
    assert_int_equal(length, 10); /* bytes */
    FAILS(run(&link, "nonsense"));
    STATE_IS(&link, "42000");
    assert_string_equal(diag_message(),
                        "[Tributary][ODBC] 'nonsense' is not expected here (line 1, column 1)");
    INFO(run(&link, "warn"));
    STATE_IS(&link, "01000");
    assert_non_null(strstr(diag_message(), "[shop]"));
    OK(odbc.SQLFetch(link.stmt)); /* drops the records */
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_STMT, link.stmt), "");
    link_close(&link);
    link_open(&link, &odbc, SQL_OV_ODBC2, "Driver=fake",
              false); /* version 2 spells them otherwise */
    const struct {
        const char *three, *two;
    } pairs[] = {{"42S02", "S0002"}, {"HY010", "S1010"}, {"42000", "37000"}, {"HYT00", "S1T00"},
                 {"22018", "22005"}, {"HY000", "S1000"}, {"08S01", "08S01"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        snprintf(text, sizeof text, "fail %s", pairs[i].three);
        FAILS(run(&link, text));
        STATE_IS(&link, pairs[i].two);
    }
    link_close(&link);
}

/* ---- attributes */

static void attributes(void **state) {
    Link link;
    SQLULEN value = 99;
    SQLUINTEGER small = 99;
    open3(&link);
    const struct {
        SQLINTEGER attribute;
        SQLULEN set, expected;
        SQLRETURN result;
        const char *sqlstate;
    } rows[] = {
        {SQL_ATTR_MAX_ROWS, 10, 10, SQL_SUCCESS, ""},
        {SQL_ATTR_QUERY_TIMEOUT, 5, 5, SQL_SUCCESS, ""},
        {SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC, SQL_CURSOR_STATIC, SQL_SUCCESS, ""},
        {SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_KEYSET_DRIVEN, SQL_CURSOR_STATIC, SQL_SUCCESS_WITH_INFO,
         "01S02"},
        {SQL_ATTR_CURSOR_TYPE, 77, SQL_CURSOR_STATIC, SQL_ERROR, "HY024"},
        {SQL_ATTR_CONCURRENCY, SQL_CONCUR_LOCK, SQL_CONCUR_VALUES, SQL_SUCCESS_WITH_INFO, "01S02"},
        {SQL_ATTR_ROW_ARRAY_SIZE, 50, 50, SQL_SUCCESS, ""},
        {SQL_ATTR_ROW_ARRAY_SIZE, 0, 50, SQL_ERROR, "HY024"},
        {SQL_ATTR_ROW_BIND_TYPE, 64, 64, SQL_SUCCESS, ""},
        {SQL_ATTR_PARAMSET_SIZE, 3, 3, SQL_SUCCESS, ""},
        {SQL_ATTR_NOSCAN, 1, 1, SQL_SUCCESS, ""},
        {SQL_ATTR_RETRIEVE_DATA, SQL_RD_OFF, SQL_RD_OFF, SQL_SUCCESS, ""},
        {SQL_ATTR_METADATA_ID, SQL_TRUE, SQL_TRUE, SQL_SUCCESS, ""},
        {SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE, SQL_UB_VARIABLE, SQL_SUCCESS, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(
            odbc.SQLSetStmtAttr(link.stmt, rows[i].attribute, (SQLPOINTER)rows[i].set, 0),
            rows[i].result);
        if (rows[i].sqlstate[0]) STATE_IS(&link, rows[i].sqlstate);
        OK(odbc.SQLGetStmtAttr(link.stmt, rows[i].attribute, &value, 0, NULL));
        assert_int_equal(value, rows[i].expected);
    }
    FAILS(odbc.SQLSetStmtAttr(link.stmt, 4242, NULL, 0));
    STATE_IS(&link, "HY092");
    FAILS(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_IMP_ROW_DESC, NULL, 0));
    STATE_IS(&link, "HY017");
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    OK(odbc.SQLGetConnectAttr(link.dbc, SQL_ATTR_AUTOCOMMIT, &small, 0, NULL));
    assert_int_equal(small, SQL_AUTOCOMMIT_OFF);
    OK(odbc.SQLGetConnectAttr(link.dbc, SQL_ATTR_CONNECTION_DEAD, &small, 0, NULL));
    assert_int_equal(small, SQL_CD_FALSE);
    FAILS(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)5, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY011");
    FAILS(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE,
                                 (SQLPOINTER)SQL_ASYNC_DBC_ENABLE_ON, 0));
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_RESET_CONNECTION,
                              (SQLPOINTER)SQL_RESET_CONNECTION_YES, 0));
    OK(odbc.SQLGetConnectAttr(link.dbc, SQL_ATTR_AUTOCOMMIT, &small, 0, NULL));
    assert_int_equal(small, SQL_AUTOCOMMIT_ON);
    OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_MAX_ROWS, (SQLPOINTER)3,
                              0)); /* a default of new statements */
    SQLHSTMT other;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &other));
    OK(odbc.SQLGetStmtAttr(other, SQL_ATTR_MAX_ROWS, &value, 0, NULL));
    assert_int_equal(value, 3);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, other));
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link.dbc, SQL_COMMIT));
    OK(odbc.SQLEndTran(SQL_HANDLE_ENV, link.env, SQL_ROLLBACK));
    FAILS(odbc.SQLEndTran(SQL_HANDLE_DBC, link.dbc, 7));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY012");
    link_close(&link);
}

/* ---- descriptors */

static void descriptors(void **state) {
    Link link;
    SQLHDESC ard, ird, apd, ipd, own;
    SQLINTEGER value, buffer[4];
    SQLSMALLINT small, type, subtype, precision, scale, nullable, length;
    SQLLEN octets, indicator[4];
    SQLPOINTER pointer;
    char name[50];
    open3(&link);
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, &ard, 0, NULL));
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_IMP_ROW_DESC, &ird, 0, NULL));
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_PARAM_DESC, &apd, 0, NULL));
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_IMP_PARAM_DESC, &ipd, 0, NULL));
    FAILS(odbc.SQLGetDescField(ird, 1, SQL_DESC_TYPE, &small, 0, NULL));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ird), "HY007");
    OK(odbc.SQLBindCol(link.stmt, 2, SQL_C_SLONG, buffer, sizeof buffer, indicator));
    OK(odbc.SQLGetDescField(ard, 0, SQL_DESC_COUNT, &small, 0, NULL));
    assert_int_equal(small, 2);
    OK(odbc.SQLGetDescField(ard, 2, SQL_DESC_CONCISE_TYPE, &small, 0, NULL));
    assert_int_equal(small, SQL_C_SLONG);
    OK(odbc.SQLGetDescField(ard, 2, SQL_DESC_DATA_PTR, &pointer, 0, NULL));
    assert_ptr_equal(pointer, buffer);
    assert_int_equal(odbc.SQLGetDescField(ard, 3, SQL_DESC_TYPE, &small, 0, NULL), SQL_NO_DATA);
    FAILS(odbc.SQLSetDescField(ird, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_INTEGER, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ird), "HY016");
    FAILS(odbc.SQLSetDescField(ard, 1, 9999, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ard), "HY091");
    FAILS(odbc.SQLSetDescField(ard, -1, SQL_DESC_TYPE, NULL, 0));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ard), "07009");
    FAILS(odbc.SQLSetDescRec(ard, 1, SQL_DATETIME, 99, 0, 0, 0, buffer, NULL, NULL));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ard), "HY021");
    /* the size of a column as the precision of the C structure, which has 38 digits */
    OK(odbc.SQLSetDescField(apd, 1, SQL_DESC_TYPE, (SQLPOINTER)SQL_C_NUMERIC, 0));
    static const intptr_t sizes[] = {4000, 65535}; /* a long text's is -1 as a SQLSMALLINT */
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        OK(odbc.SQLSetDescField(apd, 1, SQL_DESC_PRECISION, (SQLPOINTER)sizes[i], 0));
        OK(odbc.SQLSetDescField(apd, 1, SQL_DESC_DATA_PTR, buffer, 0));
        OK(odbc.SQLGetDescField(apd, 1, SQL_DESC_PRECISION, &small, 0, NULL));
        assert_int_equal(small, 38);
    }
    OK(odbc.SQLSetDescRec(ard, 1, SQL_C_SLONG, 0, 4, 0, 0, buffer, indicator, indicator));
    OK(odbc.SQLSetDescField(ipd, 1, SQL_DESC_CONCISE_TYPE, (SQLPOINTER)SQL_TYPE_DATE, 0));
    OK(odbc.SQLGetDescField(ipd, 1, SQL_DESC_TYPE, &small, 0, NULL));
    assert_int_equal(small, SQL_DATETIME);
    OK(odbc.SQLGetDescField(ipd, 1, SQL_DESC_DATETIME_INTERVAL_CODE, &small, 0, NULL));
    assert_int_equal(small, SQL_CODE_DATE);
    OK(odbc.SQLSetDescField(ipd, 1, SQL_DESC_NAME, "first", SQL_NTS));
    OK(odbc.SQLGetDescField(ipd, 1, SQL_DESC_NAME, name, sizeof name, &value));
    assert_string_equal(name, "first");
    /* an explicit descriptor as ARD: what it binds is filled */
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DESC, link.dbc, &own));
    OK(odbc.SQLCopyDesc(ard, own));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, own, 0));
    run_ok(&link, "numbers 3");
    OK(odbc.SQLGetDescField(ird, 1, SQL_DESC_NAME, name, sizeof name, &value));
    assert_string_equal(name, "i");
    OK(odbc.SQLGetDescRec(ird, 4, (SQLCHAR *)name, sizeof name, &length, &type, &subtype, &octets,
                          &precision, &scale, &nullable));
    assert_string_equal(name, "n");
    assert_int_equal(type, SQL_DECIMAL);
    assert_int_equal(precision, 10);
    assert_int_equal(scale, 2);
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    assert_int_equal(buffer[0],
                     1000003); /* the second column is bound to the same buffer, and comes later */
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DESC, own)); /* the statement goes back to its own */
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, &own, 0, NULL));
    assert_ptr_equal(own, ard);
    FAILS(odbc.SQLFreeHandle(SQL_HANDLE_DESC, ard));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DESC, ard), "HY017");
    close_cursor(&link);
    OK(odbc.SQLFreeStmt(link.stmt, SQL_UNBIND));
    OK(odbc.SQLGetDescField(ard, 0, SQL_DESC_COUNT, &small, 0, NULL));
    assert_int_equal(small, 0);
    link_close(&link);
}

static void column_attributes(void **state) {
    Link link;
    char name[64];
    SQLWCHAR wide_name[10];
    SQLSMALLINT length, type, digits, nullable;
    SQLULEN size;
    SQLLEN value;
    open3(&link);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"types", SQL_NTS));
    static const struct {
        SQLSMALLINT type;
        SQLULEN size;
        SQLSMALLINT digits;
        SQLLEN display, octets;
    } expected[] = {
        {SQL_BIT, 1, 0, 1, 1},
        {SQL_TINYINT, 3, 0, 4, 1},
        {SQL_SMALLINT, 5, 0, 6, 2},
        {SQL_INTEGER, 10, 0, 11, 4},
        {SQL_BIGINT, 19, 0, 20, 8},
        {SQL_REAL, 7, 0, 14, 4},
        {SQL_DOUBLE, 15, 0, 24, 8},
        {SQL_DECIMAL, 10, 2, 12, 12},
        {SQL_DECIMAL, 38, 10, 40, 40},
        {SQL_WVARCHAR, 50, 0, 4 * 50, 100},
        {SQL_WCHAR, 5, 0, 4 * 5, 10},
        {SQL_WVARCHAR, 4000, 0, 4 * 4000, 8000},
        {SQL_VARBINARY, 4000, 0, 8000, 4000},
        {SQL_TYPE_DATE, 10, 0, 10, 6},
        {SQL_TYPE_TIME, 12, 3, 12, 6},
        {SQL_TYPE_TIMESTAMP, 26, 6, 26, 16},
        {SQL_TYPE_TIMESTAMP, 29, 9, 29, 16},
    };
    for (SQLUSMALLINT i = 0; i < sizeof expected / sizeof *expected; i++) {
        OK(odbc.SQLDescribeCol(link.stmt, (SQLUSMALLINT)(i + 1), (SQLCHAR *)name, sizeof name,
                               &length, &type, &size, &digits, &nullable));
        assert_int_equal(type, expected[i].type);
        assert_int_equal(size, expected[i].size);
        assert_int_equal(digits, expected[i].digits);
        OK(odbc.SQLColAttribute(link.stmt, (SQLUSMALLINT)(i + 1), SQL_DESC_DISPLAY_SIZE, NULL, 0,
                                NULL, &value));
        assert_int_equal(value, expected[i].display);
        OK(odbc.SQLColAttribute(link.stmt, (SQLUSMALLINT)(i + 1), SQL_DESC_OCTET_LENGTH, NULL, 0,
                                NULL, &value));
        assert_int_equal(value, expected[i].octets);
    }
    OK(odbc.SQLColAttribute(link.stmt, 8, SQL_DESC_TYPE_NAME, name, sizeof name, &length, NULL));
    assert_string_equal(name, "decimal");
    INFO(odbc.SQLDescribeColW(link.stmt, 2, wide_name, 5, &length, NULL, NULL, NULL, NULL));
    assert_int_equal(length, 9);
    assert_int_equal(wide_name[4], 0);
    INFO(odbc.SQLColAttributeW(link.stmt, 2, SQL_DESC_LABEL, wide_name, 11, &length,
                               NULL)); /* odd: rounded down */
    assert_int_equal(length, 18);
    assert_int_equal(wide_name[4], 0);
    FAILS(odbc.SQLDescribeCol(link.stmt, 99, NULL, 0, NULL, NULL, NULL, NULL, NULL));
    STATE_IS(&link, "07009");
    FAILS(odbc.SQLColAttribute(link.stmt, 1, 5555, NULL, 0, NULL, &value));
    STATE_IS(&link, "HY091");
    OK(odbc.SQLColAttribute(link.stmt, 0, SQL_DESC_COUNT, NULL, 0, NULL, &value));
    assert_int_equal(value, 25);
    link_close(&link);
    link_open(&link, &odbc, SQL_OV_ODBC2, "Driver=fake", false);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"types", SQL_NTS));
    OK(odbc.SQLDescribeCol(link.stmt, 14, NULL, 0, NULL, &type, NULL, NULL, NULL));
    assert_int_equal(type, SQL_DATE);
    OK(odbc.SQLColAttribute(link.stmt, 16, SQL_COLUMN_TYPE, NULL, 0, NULL, &value));
    assert_int_equal(value, SQL_TIMESTAMP);
    OK(odbc.SQLColAttribute(link.stmt, 8, SQL_COLUMN_PRECISION, NULL, 0, NULL, &value));
    assert_int_equal(value, 10);
    OK(odbc.SQLColAttribute(link.stmt, 8, SQL_COLUMN_SCALE, NULL, 0, NULL, &value));
    assert_int_equal(value, 2);
    OK(odbc.SQLColAttribute(link.stmt, 8, SQL_COLUMN_LENGTH, NULL, 0, NULL, &value));
    assert_int_equal(value, 12);
    link_close(&link);
}

/* ---- parameters */

static void parameters(void **state) {
    Link link;
    SQLINTEGER i = -42;
    double d = 1.5;
    SQL_DATE_STRUCT date = {2024, 2, 29}, wrong = {2023, 2, 29};
    SQL_TIMESTAMP_STRUCT at = {2024, 1, 15, 10, 30, 0, 123456789};
    SQL_NUMERIC_STRUCT numeric = {10, 2, 0, {0x39, 0x30}};
    SQLLEN null = SQL_NULL_DATA, nts = SQL_NTS, three = 3;
    SQLSMALLINT n;
    open3(&link);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"echo ? ? ? ? ? ? ? ?", SQL_NTS));
    OK(odbc.SQLNumParams(link.stmt, &n));
    assert_int_equal(n, 8);
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "07002");
#define BIND(number, ctype, type, size, digits, data, length)                                     \
    OK(odbc.SQLBindParameter(link.stmt, number, SQL_PARAM_INPUT, ctype, type, size, digits, data, \
                             0, length))
    BIND(1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &i, NULL);
    BIND(2, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &d, NULL);
    BIND(3, SQL_C_TYPE_DATE, SQL_TYPE_DATE, 10, 0, &date, NULL);
    BIND(4, SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 29, 9, &at, NULL);
    BIND(5, SQL_C_NUMERIC, SQL_DECIMAL, 10, 2, &numeric, NULL);
    BIND(6, SQL_C_CHAR, SQL_VARCHAR, 50, 0,
         "Gr\xC3\xBC\xC3\x9F"
         "e",
         &nts);
    BIND(7, SQL_C_WCHAR, SQL_WVARCHAR, 50, 0, wide("abc"), &nts);
    BIND(8, SQL_C_DEFAULT, SQL_VARCHAR, 50, 0, NULL, &null);
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    static const char *const expected[] = {"integer=-42",
                                           "double=1.5",
                                           "date=2024-02-29",
                                           "timestamp=2024-01-15 10:30:00.123456789",
                                           "decimal=-123.45",
                                           ("varchar=Gr\xC3\xBC\xC3\x9F"
                                            "e"),
                                           "varchar=abc",
                                           "NULL"};
    for (SQLUSMALLINT c = 0; c < 8; c++)
        assert_string_equal(text_of(&link, (SQLUSMALLINT)(c + 1)), expected[c]);
    close_cursor(&link);
    /* text to other types, and what cannot be */
    BIND(1, SQL_C_CHAR, SQL_INTEGER, 0, 0, " 77 ", &nts);
    BIND(2, SQL_C_CHAR, SQL_DECIMAL, 10, 2, "1.5", &nts);
    BIND(3, SQL_C_CHAR, SQL_TYPE_DATE, 10, 0, "2024-02-29", &nts);
    BIND(4, SQL_C_SLONG, SQL_VARCHAR, 10, 0, &i, NULL);
    BIND(5, SQL_C_CHAR, SQL_VARBINARY, 10, 0, "00fF", &nts);
    BIND(6, SQL_C_BINARY, SQL_VARBINARY, 10, 0, "a\0b", &three);
    BIND(7, SQL_C_TYPE_TIMESTAMP, SQL_VARCHAR, 40, 0, &at, NULL);
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    static const char *const texts[] = {"integer=77",
                                        "decimal=1.50",
                                        "date=2024-02-29",
                                        "varchar=-42",
                                        "varbinary=00ff",
                                        "varbinary=610062",
                                        "varchar=2024-01-15 10:30:00.123456789"};
    for (SQLUSMALLINT c = 0; c < 7; c++)
        assert_string_equal(text_of(&link, (SQLUSMALLINT)(c + 1)), texts[c]);
    close_cursor(&link);
    const struct {
        SQLSMALLINT ctype, type;
        SQLULEN size;
        SQLSMALLINT digits;
        void *data;
        const char *sqlstate;
    } bad[] = {{SQL_C_CHAR, SQL_INTEGER, 0, 0, "x", "22018"},
               {SQL_C_CHAR, SQL_INTEGER, 0, 0, "3000000000", "22003"},
               {SQL_C_CHAR, SQL_INTEGER, 0, 0, "1.5", "22001"},
               {SQL_C_CHAR, SQL_TYPE_DATE, 0, 0, "2023-02-29", "22018"},
               {SQL_C_TYPE_DATE, SQL_TYPE_DATE, 0, 0, &wrong, "22007"},
               {SQL_C_TYPE_TIMESTAMP, SQL_TYPE_DATE, 0, 0, &at, "22008"},
               {SQL_C_CHAR, SQL_VARCHAR, 9, 0, "\xFF", "22021"},
               {SQL_C_SLONG, SQL_TINYINT, 0, 0, &(SQLINTEGER){300}, "22003"}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        BIND(1, bad[k].ctype, bad[k].type, bad[k].size, bad[k].digits, bad[k].data, &nts);
        FAILS(odbc.SQLExecute(link.stmt));
        STATE_IS(&link, bad[k].sqlstate);
    }
    FAILS(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_TYPE_DATE, 0, 0, &i,
                                0, NULL));
    STATE_IS(&link, "07006");
    FAILS(
        odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, 4711, SQL_INTEGER, 0, 0, &i, 0, NULL));
    STATE_IS(&link, "HY003");
    FAILS(
        odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, 4711, 0, 0, &i, 0, NULL));
    STATE_IS(&link, "HY004");
    FAILS(odbc.SQLBindParameter(link.stmt, 0, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &i,
                                0, NULL));
    STATE_IS(&link, "07009");
    FAILS(odbc.SQLBindParameter(link.stmt, 1, 99, SQL_C_SLONG, SQL_INTEGER, 0, 0, &i, 0, NULL));
    STATE_IS(&link, "HY105");
    link_close(&link);
}

static void parameter_sets(void **state) {
    Link link;
    SQLINTEGER values[4] = {1, 2, 3, 4};
    char texts[4][8] = {"1", "x", "3", "4"};
    SQLLEN lengths[4] = {SQL_NTS, SQL_NTS, SQL_NTS, SQL_NTS}, rows;
    SQLUSMALLINT status[4] = {9, 9, 9, 9}, operation[4] = {SQL_PARAM_PROCEED, SQL_PARAM_PROCEED,
                                                           SQL_PARAM_PROCEED, SQL_PARAM_IGNORE};
    SQLULEN processed = 0;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)4, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAM_STATUS_PTR, status, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed, 0));
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, values,
                             0, NULL));
    run_ok(&link, "write 5 ?");
    OK(odbc.SQLRowCount(link.stmt, &rows));
    assert_int_equal(rows, 20);
    assert_int_equal(processed, 4);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_PARAM_OPERATION_PTR, operation, 0));
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_INTEGER, 0, 0, texts, 8,
                             lengths));
    INFO(run(&link, "write 5 ?"));
    STATE_IS(&link, "22018");
    SQLLEN row = 0;
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 1, SQL_DIAG_ROW_NUMBER, &row, 0, NULL));
    assert_int_equal(row, 2);
    OK(odbc.SQLRowCount(link.stmt, &rows));
    assert_int_equal(rows, 10);
    assert_int_equal(status[0], SQL_PARAM_SUCCESS);
    assert_int_equal(status[1], SQL_PARAM_ERROR);
    assert_int_equal(status[2], SQL_PARAM_SUCCESS);
    assert_int_equal(status[3], SQL_PARAM_UNUSED);
    INFO(run(&link, "echo ?")); /* a result for each set that converts */
    STATE_IS(&link, "22018");
    assert_int_equal(processed, 1);
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "integer=1");
    OK(odbc.SQLMoreResults(link.stmt));
    assert_int_equal(processed, 3);
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "integer=3");
    assert_int_equal(odbc.SQLMoreResults(link.stmt), SQL_NO_DATA);
    link_close(&link);
}

static void data_at_execution(void **state) {
    Link link;
    char first[1], second[1];
    SQLLEN at_execution = SQL_LEN_DATA_AT_EXEC(0);
    SQLPOINTER token = NULL;
    open3(&link);
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 100, 0, first,
                             1, &at_execution));
    OK(odbc.SQLBindParameter(link.stmt, 2, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 100, 0,
                             second, 1, &at_execution));
    for (int round = 0; round < 2; round++) {
        assert_int_equal(run(&link, "echo ? ?"), SQL_NEED_DATA);
        assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
        assert_ptr_equal(token, first);
        OK(odbc.SQLPutData(link.stmt, "one ", 4));
        OK(odbc.SQLPutData(link.stmt, "two", SQL_NTS));
        assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
        assert_ptr_equal(token, second);
        OK(odbc.SQLPutData(link.stmt, wide("wide"), SQL_NTS));
        OK(odbc.SQLParamData(link.stmt, &token));
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 1), "varchar=one two");
        assert_string_equal(text_of(&link, 2), "varchar=wide");
        close_cursor(&link);
    }
    assert_int_equal(run(&link, "echo ? ?"), SQL_NEED_DATA);
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    OK(odbc.SQLPutData(link.stmt, NULL, SQL_NULL_DATA));
    FAILS(odbc.SQLPutData(link.stmt, "x", 1));
    STATE_IS(&link, "HY020");
    OK(odbc.SQLCancel(link.stmt));
    run_ok(&link, "text again");
    link_close(&link);
}

/* ---- cancelling, time-outs, polling */

static void cancelling(void **state) {
    Link link;
    Canceller canceller;
    open3(&link);
    OK(odbc.SQLCancel(link.stmt));
    canceller_begin(&canceller, &odbc, link.stmt);
    FAILS(run(&link, "slow"));
    STATE_IS(&link, "HY008");
    canceller_end(&canceller);
    run_ok(&link, "slowrows");
    canceller_begin(&canceller, &odbc, link.stmt);
    FAILS(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "HY008");
    canceller_end(&canceller);
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)1, 0));
    time_t before = time(NULL);
    FAILS(run(&link, "slow"));
    STATE_IS(&link, "HYT00");
    assert_true(time(NULL) - before <= 10); /* a busy machine */
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_QUERY_TIMEOUT, (SQLPOINTER)0, 0));
    run_ok(&link, "text fine");
    link_close(&link);
}

static void polling(void **state) {
    Link link;
    SQLRETURN result;
    int polls = 0;
    SQLINTEGER value = 0;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
    while ((result = run(&link, polls ? "arguments are ignored" : "delay 5")) ==
           SQL_STILL_EXECUTING) {
        polls++;
        FAILS(odbc.SQLNumResultCols(link.stmt, (SQLSMALLINT *)&value));
        STATE_IS(&link, "HY010");
    }
    OK(result);
    assert_true(polls >= 5);
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, &value, 0, NULL));
    while ((result = odbc.SQLFetch(link.stmt)) == SQL_STILL_EXECUTING) polls++;
    OK(result);
    assert_int_equal(value, 1);
    close_cursor(&link);
    assert_int_equal(run(&link, "slow"), SQL_STILL_EXECUTING);
    assert_int_equal(run(&link, ""), SQL_STILL_EXECUTING);
    FAILS(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
    FAILS(odbc.SQLDisconnect(link.dbc));
    OK(odbc.SQLCancel(link.stmt));
    while ((result = run(&link, "")) == SQL_STILL_EXECUTING) {
    }
    FAILS(result);
    STATE_IS(&link, "HY008");
    link_close(&link);
}

/* ---- catalog functions */

static void catalog_functions(void **state) {
    Link link;
    SQLSMALLINT n;
    open3(&link);
    OK(odbc.SQLTables(link.stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    OK(odbc.SQLNumResultCols(link.stmt, &n));
    assert_int_equal(n, 5);
    static const char *const tables[][3] = {{"memory", "customers", "TABLE"},
                                            {"shop", "customers", "TABLE"},
                                            {"shop", "late_orders", "VIEW"}};
    for (int i = 0; i < 3; i++) {
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 1), tables[i][0]);
        assert_string_equal(text_of(&link, 3), tables[i][1]);
        assert_string_equal(text_of(&link, 4), tables[i][2]);
    }
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLTables(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"%", 1,
                      (SQLCHAR *)"'VIEW', 'SYSTEM TABLE'", SQL_NTS));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 3), "late_orders");
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLTablesW(link.stmt, wide("%"), 1, wide(""), 0, wide(""), 0, NULL, 0)); /* catalogs */
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "memory");
    assert_string_equal(text_of(&link, 3), "(null)");
    OK(odbc.SQLFetch(link.stmt));
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLTables(link.stmt, (SQLCHAR *)"", 0, (SQLCHAR *)"%", 1, (SQLCHAR *)"", 0, NULL,
                      0)); /* schemas, once */
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 2), "default");
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 2), "main");
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLTables(link.stmt, (SQLCHAR *)"", 0, (SQLCHAR *)"", 0, (SQLCHAR *)"", 0,
                      (SQLCHAR *)"%", 1));
    for (int i = 0; i < 3; i++) OK(odbc.SQLFetch(link.stmt));
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLColumns(link.stmt, (SQLCHAR *)"shop", 4, NULL, 0, (SQLCHAR *)"customers", SQL_NTS,
                       NULL, 0));
    OK(odbc.SQLNumResultCols(link.stmt, &n));
    assert_int_equal(n, 18);
    static const char *const columns[][5] = {{"id", "-5", "bigint", "19", "NO"},
                                             {"name", "-9", "varchar", "30", "YES"},
                                             {"born", "91", "date", "10", "YES"},
                                             {"seen", "93", "timestamp", "23", "YES"},
                                             {"credit", "3", "decimal", "12", "YES"}};
    for (int i = 0; i < 5; i++) {
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 4), columns[i][0]);
        assert_string_equal(text_of(&link, 5), columns[i][1]);
        assert_string_equal(text_of(&link, 6), columns[i][2]);
        assert_string_equal(text_of(&link, 7), columns[i][3]);
        assert_string_equal(text_of(&link, 18), columns[i][4]);
    }
    close_cursor(&link);
    link_close(&link);
}

/* By the referring table, by the one referred to, by both; the other way round there are none. */
static void foreign_keys(Link *link) {
    static const struct {
        const char *referred, *referring;
        int rows;
    } cases[] = {{NULL, "customers", 1},     {"regions", NULL, 1},   {"regions", "customers", 1},
                 {"others", "customers", 0}, {"customers", NULL, 0}, {NULL, "regions", 0}};
    static const char *const expected[] = {"shop", "main",      "regions",    "id", "shop",
                                           "main", "customers", "region_id",  "1",  "0",
                                           "2",    "to_region", "pk_regions", "7"};
    SQLSMALLINT n;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        SQLCHAR *shop = (SQLCHAR *)"shop";
        OK(odbc.SQLForeignKeys(link->stmt, shop, 4, NULL, 0,
                               (SQLCHAR *)(uintptr_t)cases[i].referred, SQL_NTS, shop, 4, NULL, 0,
                               (SQLCHAR *)(uintptr_t)cases[i].referring, SQL_NTS));
        OK(odbc.SQLNumResultCols(link->stmt, &n));
        assert_int_equal(n, 14);
        for (int row = 0; row < cases[i].rows; row++) {
            OK(odbc.SQLFetch(link->stmt));
            for (SQLUSMALLINT c = 1; c <= 14; c++)
                assert_string_equal(text_of(link, c), expected[c - 1]);
        }
        assert_int_equal(odbc.SQLFetch(link->stmt), SQL_NO_DATA);
        close_cursor(link);
    }
    FAILS(odbc.SQLForeignKeys(link->stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    STATE_IS(link, "HY009");
}

static void catalog_keys(void **state) {
    Link link;
    SQLSMALLINT n;
    open3(&link);
    OK(odbc.SQLPrimaryKeys(link.stmt, (SQLCHAR *)"shop", 4, (SQLCHAR *)"main", 4,
                           (SQLCHAR *)"customers", 9));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 4), "id");
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLStatistics(link.stmt, (SQLCHAR *)"shop", 4, NULL, 0, (SQLCHAR *)"customers", 9,
                          SQL_INDEX_ALL, SQL_QUICK));
    static const char *const statistics[][4] = {{"0", "(null)", "(null)", "2147483647"},
                                                {"3", "by_name", "name", "(null)"},
                                                {"3", "pk_customers", "id", "(null)"}};
    for (int i = 0; i < 3; i++) {
        static const SQLUSMALLINT columns[] = {7, 6, 9, 11};
        OK(odbc.SQLFetch(link.stmt));
        for (int c = 0; c < 4; c++)
            assert_string_equal(text_of(&link, columns[c]), statistics[i][c]);
    }
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    OK(odbc.SQLSpecialColumns(link.stmt, SQL_BEST_ROWID, (SQLCHAR *)"shop", 4, (SQLCHAR *)"main", 4,
                              (SQLCHAR *)"customers", 9, SQL_SCOPE_CURROW, SQL_NULLABLE));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 2), "id");
    assert_string_equal(text_of(&link, 4), "bigint");
    close_cursor(&link);
    OK(odbc.SQLPrimaryKeys(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"nothing", 7));
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    FAILS(odbc.SQLPrimaryKeys(link.stmt, NULL, 0, NULL, 0, NULL, 0));
    STATE_IS(&link, "HY009");
    foreign_keys(&link);
    OK(odbc.SQLProcedures(link.stmt, NULL, 0, NULL, 0, NULL, 0));
    OK(odbc.SQLNumResultCols(link.stmt, &n));
    assert_int_equal(n, 8);
    close_cursor(&link);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_TYPE_DATE));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "date");
    assert_string_equal(text_of(&link, 2), "91");
    close_cursor(&link);
    FAILS(odbc.SQLGetTypeInfo(link.stmt, 4711));
    STATE_IS(&link, "HY004");
    FAILS(odbc.SQLTables(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"x", -5, NULL, 0));
    STATE_IS(&link, "HY090");
    link_close(&link);
}

static void catalog_version2(void **state) {
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC2, "Driver=fake", true);
    OK(odbc.SQLColumns(link.stmt, (SQLCHAR *)"shop", 4, NULL, 0, NULL, 0, (SQLCHAR *)"born",
                       SQL_NTS));
    char name[30];
    OK(odbc.SQLDescribeCol(link.stmt, 1, (SQLCHAR *)name, sizeof name, NULL, NULL, NULL, NULL,
                           NULL));
    assert_string_equal(name, "TABLE_QUALIFIER");
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 5), "9");
    close_cursor(&link);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_TIMESTAMP)); /* 11 */
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 2), "11");
    close_cursor(&link);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_TYPE_TIMESTAMP)); /* 93 means the same */
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 2), "11");
    link_close(&link);
}

/* ---- information */

static void information(void **state) {
    Link link;
    SQLUINTEGER bits = 0;
    SQLUSMALLINT small = 0, functions[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE], one;
    SQLSMALLINT length;
    char text[64];
    open3(&link);
    OK(odbc.SQLGetInfo(link.dbc, SQL_STRING_FUNCTIONS, &bits, 0, &length));
    assert_int_equal(bits, SQL_FN_STR_CONCAT);
    assert_int_equal(length, 4);
    OK(odbc.SQLGetInfo(link.dbc, SQL_AGGREGATE_FUNCTIONS, &bits, 0, NULL));
    assert_int_equal(bits, SQL_AF_COUNT | SQL_AF_SUM | SQL_AF_ALL | SQL_AF_DISTINCT);
    OK(odbc.SQLGetInfo(link.dbc, SQL_CONVERT_DATE, &bits, 0, NULL));
    assert_true(bits & SQL_CVT_DATE);
    assert_false(bits & SQL_CVT_BIGINT);
    OK(odbc.SQLGetInfo(link.dbc, SQL_CURSOR_COMMIT_BEHAVIOR, &small, 0, &length));
    assert_int_equal(length, 2);
    OK(odbc.SQLGetInfo(link.dbc, SQL_DBMS_VER, text, sizeof text, NULL));
    assert_string_equal(text, "01.02.0003 Tributary 1.2.3");
    OK(odbc.SQLGetInfo(link.dbc, SQL_KEYWORDS, text, sizeof text, NULL));
    assert_string_equal(text, "UNNEST,RECURSIVE");
    INFO(odbc.SQLGetInfo(link.dbc, SQL_DBMS_NAME, text, 5, &length));
    assert_string_equal(text, "Trib");
    assert_int_equal(length, 9);
    INFO(odbc.SQLGetInfoW(link.dbc, SQL_DBMS_NAME, text, 11, &length));
    assert_int_equal(length, 18);
    OK(odbc.SQLGetInfo(link.dbc, SQL_DBMS_NAME, NULL, 0, &length));
    assert_int_equal(length, 9);
    FAILS(odbc.SQLGetInfo(link.dbc, 9876, text, 5, &length));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link.dbc), "HY096");
    OK(odbc.SQLGetFunctions(link.dbc, SQL_API_ODBC3_ALL_FUNCTIONS, functions));
    assert_true(SQL_FUNC_EXISTS(functions, SQL_API_SQLFETCHSCROLL));
    assert_true(SQL_FUNC_EXISTS(functions, SQL_API_SQLEXTENDEDFETCH));
    assert_true(SQL_FUNC_EXISTS(functions, SQL_API_SQLBULKOPERATIONS));
    assert_false(SQL_FUNC_EXISTS(functions, SQL_API_SQLSETSCROLLOPTIONS)); /* the manager's */
    OK(odbc.SQLGetFunctions(link.dbc, SQL_API_SQLTABLES, &one));
    assert_int_equal(one, SQL_TRUE);
    OK(odbc.SQLNativeSql(link.dbc, (SQLCHAR *)"SELECT {fn NOW()}", SQL_NTS, (SQLCHAR *)text,
                         sizeof text, NULL));
    assert_string_equal(text, "SELECT {fn NOW()}");
    link_close(&link);
}

/* ---- fork */

static void forked(void **state) {
    Link link;
    open3(&link);
    run_ok(&link, "numbers 5");
    pid_t child = fork();
    if (child == 0) {
        int failures = 0;
        char message[500] = "";
        failures += odbc.SQLFetch(link.stmt) != SQL_ERROR;
        failures += odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link.stmt, 1, NULL, NULL,
                                       (SQLCHAR *)message, sizeof message, NULL) != SQL_SUCCESS;
        failures += strstr(message, "fork") == NULL;
        failures += odbc.SQLCancel(link.stmt) != SQL_ERROR;
        failures += odbc.SQLDisconnect(link.dbc) != SQL_ERROR;
        SQLHDBC dbc; /* the environment serves new connections */
        SQLHSTMT stmt;
        failures += odbc.SQLAllocHandle(SQL_HANDLE_DBC, link.env, &dbc) != SQL_SUCCESS;
        failures += odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)"Driver=fake", SQL_NTS, NULL, 0,
                                          NULL, 0) != SQL_SUCCESS;
        failures += odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) != SQL_SUCCESS;
        failures += odbc.SQLExecDirect(stmt, (SQLCHAR *)"numbers 5", SQL_NTS) != SQL_SUCCESS;
        failures += odbc.SQLFetch(stmt) != SQL_SUCCESS;
        failures += odbc.SQLDisconnect(dbc) != SQL_SUCCESS;
        _exit(failures);
    }
    int status = 0;
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    OK(odbc.SQLFetch(link.stmt));
    link_close(&link);
}

/* ---- threads */

static void *hammer(void *shared) {
    Link *link = shared;
    for (int i = 0; i < 200; i++) {
        SQLHSTMT stmt;
        if (odbc.SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &stmt) != SQL_SUCCESS) return link;
        if (odbc.SQLExecDirect(stmt, (SQLCHAR *)"numbers 10", SQL_NTS) != SQL_SUCCESS) return link;
        while (odbc.SQLFetch(stmt) == SQL_SUCCESS) {
            char text[40];
            SQLLEN n;
            if (odbc.SQLGetData(stmt, 5, SQL_C_CHAR, text, sizeof text, &n) != SQL_SUCCESS)
                return link;
        }
        (void)odbc.SQLFetch(link->stmt); /* a statement that everybody uses */
        (void)odbc.SQLCancel(link->stmt);
        if (odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt) != SQL_SUCCESS) return link;
    }
    return NULL;
}

static void threads(void **state) {
    Link link;
    pthread_t thread[8];
    open3(&link);
    run_ok(&link, "numbers 1000000 50");
    for (int i = 0; i < 8; i++) pthread_create(&thread[i], NULL, hammer, &link);
    for (int i = 0; i < 8; i++) {
        void *failed;
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    link_close(&link);
}

/* Any call on any handle, alive or not, from many threads: nothing crashes, nothing hangs. */
#define POOL 64
static SQLHANDLE pool[4]
                     [POOL]; /* environments, connections, statements, descriptors: racily shared */

static void chaos_step(unsigned *seed) {
    SQLHANDLE made = NULL, handle;
    char text[64];
    SQLLEN n;
    SQLSMALLINT small;
#define PICK(kind) __atomic_load_n(&pool[kind][rand_r(seed) % POOL], __ATOMIC_RELAXED)
#define KEEP(kind) __atomic_store_n(&pool[kind][rand_r(seed) % POOL], made, __ATOMIC_RELAXED)
    switch (rand_r(seed) % 16) {
    case 0:
        if (odbc.SQLAllocHandle(SQL_HANDLE_DBC, PICK(0), &made) == SQL_SUCCESS) KEEP(1);
        break;
    case 1:
        (void)odbc.SQLDriverConnect(PICK(1), NULL, (SQLCHAR *)"Driver=fake", SQL_NTS, NULL, 0, NULL,
                                    0);
        break;
    case 2:
        if (rand_r(seed) % 8 == 0) (void)odbc.SQLDisconnect(PICK(1));
        break;
    case 3:
        if (rand_r(seed) % 8 == 0) (void)odbc.SQLFreeHandle(SQL_HANDLE_DBC, PICK(1));
        break;
    case 4:
    case 5:
        if (odbc.SQLAllocHandle(SQL_HANDLE_STMT, PICK(1), &made) == SQL_SUCCESS) KEEP(2);
        break;
    case 6: (void)odbc.SQLFreeHandle(SQL_HANDLE_STMT, PICK(2)); break;
    case 7: (void)odbc.SQLExecDirect(PICK(2), (SQLCHAR *)"numbers 100 7", SQL_NTS); break;
    case 8: (void)odbc.SQLFetch(PICK(2)); break;
    case 9: (void)odbc.SQLGetData(PICK(2), 5, SQL_C_CHAR, text, sizeof text, &n); break;
    case 10: (void)odbc.SQLCancel(PICK(2)); break;
    case 11:
        if (odbc.SQLAllocHandle(SQL_HANDLE_DESC, PICK(1), &made) == SQL_SUCCESS) KEEP(3);
        break;
    case 12: (void)odbc.SQLSetStmtAttr(PICK(2), SQL_ATTR_APP_ROW_DESC, PICK(3), 0); break;
    case 13: (void)odbc.SQLFreeHandle(SQL_HANDLE_DESC, PICK(3)); break;
    case 14:
        handle = PICK(2);
        if (odbc.SQLGetStmtAttr(handle, SQL_ATTR_APP_PARAM_DESC, &made, 0, NULL) == SQL_SUCCESS)
            KEEP(3);
        (void)odbc.SQLCopyDesc(PICK(3), PICK(3));
        break;
    default:
        (void)odbc.SQLGetDiagRec(SQL_HANDLE_STMT, PICK(2), 1, (SQLCHAR *)text, NULL,
                                 (SQLCHAR *)text + 8, 40, &small);
        (void)odbc.SQLEndTran(SQL_HANDLE_ENV, PICK(0), SQL_COMMIT);
    }
}

static void *chaos_thread(void *number) {
    unsigned seed = (unsigned)(uintptr_t)number;
    for (int i = 0; i < 30000; i++) chaos_step(&seed);
    return NULL;
}

static void chaos(void **state) {
    pthread_t thread[6];
    SQLHENV env;
    for (int i = 0; i < POOL; i++) {
        if (i % 16 == 0) {
            OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
            OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
        }
        pool[0][i] = env;
    }
    for (int i = 0; i < 6; i++)
        pthread_create(&thread[i], NULL, chaos_thread, (void *)(uintptr_t)(i + 1));
    for (int i = 0; i < 6; i++) pthread_join(thread[i], NULL);
}

/* A quarter of a megabyte of stack is enough for every call. */
static void *small_stack_work(void *unused) {
    Link link;
    open3(&link);
    run_ok(&link, "types");
    while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS)
        for (SQLUSMALLINT c = 1; c <= 25; c++) (void)text_of(&link, c);
    close_cursor(&link);
    FAILS(run(&link, "nonsense"));
    OK(odbc.SQLColumns(link.stmt, NULL, 0, NULL, 0, NULL, 0, NULL, 0));
    OK(odbc.SQLFetch(link.stmt));
    link_close(&link);
    return NULL;
}

static void small_stack(void **state) {
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, small_stack_work, NULL), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_misused),
        cmocka_unit_test(version_first),
        cmocka_unit_test(states),
        cmocka_unit_test(connection_states),
        cmocka_unit_test(connection_strings),
        cmocka_unit_test(browsing),
        cmocka_unit_test(data_source),
        cmocka_unit_test(diagnostics),
        cmocka_unit_test(attributes),
        cmocka_unit_test(descriptors),
        cmocka_unit_test(column_attributes),
        cmocka_unit_test(parameters),
        cmocka_unit_test(parameter_sets),
        cmocka_unit_test(data_at_execution),
        cmocka_unit_test(cancelling),
        cmocka_unit_test(polling),
        cmocka_unit_test(catalog_functions),
        cmocka_unit_test(catalog_keys),
        cmocka_unit_test(catalog_version2),
        cmocka_unit_test(information),
        cmocka_unit_test(forked),
        cmocka_unit_test(threads),
        cmocka_unit_test(chaos),
        cmocka_unit_test(small_stack),
    };
    return cmocka_run_group_tests_name("driver calls", tests, load, NULL);
}
