/*
 * replay_tableau.c - Tableau: bitmaps of SQLGetInfo, probing statements of which many must fail without
 * harm, the columns of a query by WHERE 1=0, connections that name a catalog as DATABASE=.
 */
#include "tests/clients/replay.h"

#define ORDERS "\"analytics_db\".\"sample_orders\""

static void bitmaps(SQLHDBC dbc) {
    static const SQLUSMALLINT types[] = {SQL_NUMERIC_FUNCTIONS,        SQL_STRING_FUNCTIONS,
                                         SQL_TIMEDATE_FUNCTIONS,       SQL_SYSTEM_FUNCTIONS,
                                         SQL_CONVERT_FUNCTIONS,        SQL_AGGREGATE_FUNCTIONS,
                                         SQL_SQL92_VALUE_EXPRESSIONS,  SQL_SQL92_STRING_FUNCTIONS,
                                         SQL_SQL92_DATETIME_FUNCTIONS, SQL_SUBQUERIES,
                                         SQL_OJ_CAPABILITIES,          SQL_SQL92_PREDICATES};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        SQLUINTEGER bits = 0;
        SQLSMALLINT len;
        OK(NULL, SQLGetInfoW(dbc, types[i], &bits, sizeof bits, &len));
        CHECK(NULL, bits != 0);
    }
}

static SQLRETURN probe(SQLHSTMT stmt, const char *sql) {
    SQLRETURN rc = SQLExecDirectW(stmt, wide(sql), SQL_NTS);
    if (SQL_SUCCEEDED(rc)) SQLFreeStmt(stmt, SQL_CLOSE);
    return rc;
}

/* What it tries out; a refusal must be an error with a message, and leave the statement usable. */
static void probes(SQLHSTMT stmt) {
    static const char *const good[] = {
        "SELECT 1",
        "SELECT 1 AS \"COL\"",
        "SELECT COUNT(1) AS \"COL\" FROM (SELECT 1 AS \"COL\") AS \"CHECKTABLE\"",
        "SELECT * FROM (SELECT 1 AS \"COL\") AS \"SUBQUERY\" WHERE 1=0",
        "SELECT * FROM (SELECT 1 AS \"COL\") AS \"SUBQUERY\" LIMIT 1",
        ("SELECT \"a\".\"COL\" FROM (SELECT 1 AS \"COL\") \"a\" LEFT JOIN (SELECT 2 AS \"COL\") "
         "\"b\" ON (\"a\".\"COL\" = \"b\".\"COL\")"),
        ("SELECT \"COL\" FROM (SELECT 1 AS \"COL\") \"t\" GROUP BY 1 HAVING (COUNT(1) > 0) "
         "ORDER BY 1"),
        "SELECT {fn YEAR({d '2024-02-29'})}, {fn CONCAT('a', 'b')}, {fn LCASE('A')}",
        "SELECT CAST({fn TRUNCATE(1.55, 1)} AS double), {ts '2024-01-01 10:00:00'}"};
    static const char *const bad[] = {
        "SELECT TOP 1 1 AS \"COL\"",
        "CREATE LOCAL TEMPORARY TABLE \"#Tableau_1_2_Connect\" (\"COL\" INTEGER)",
        "SELECT * FROM \"analytics_db\".\"#Tableau_1_2_Connect\"",
        "SELECT 1 INTO \"#Tableau_1_2_Connect\""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) OK(stmt, probe(stmt, good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        SQLCHAR state[6] = "", text[512] = "";
        SQLINTEGER native;
        SQLSMALLINT len;
        CHECK(stmt, probe(stmt, bad[i]) == SQL_ERROR);
        OK(stmt, SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, text, sizeof text, &len));
        CHECK(stmt, memcmp(state, "42", 2) == 0 && len > 20);
        OK(stmt, probe(stmt, "SELECT 1"));
    }
}

/* The shape of a custom query, without rows. */
static void shape(SQLHSTMT stmt) {
    SQLWCHAR name[64];
    SQLSMALLINT n, len, type, digits, nullable;
    SQLULEN size;
    OK(stmt, SQLExecDirectW(
                 stmt,
                 wide("SELECT * FROM (SELECT o.order_id, o.price * 2 AS \"double\" FROM " ORDERS
                      " o) \"Custom SQL Query\" WHERE (1=0)"),
                 SQL_NTS));
    OK(stmt, SQLNumResultCols(stmt, &n));
    CHECK(stmt, n == 2);
    OK(stmt, SQLDescribeColW(stmt, 1, name, 64, &len, &type, &size, &digits, &nullable));
    CHECK(stmt, wide_is(name, "order_id") && type == SQL_INTEGER && nullable == SQL_NO_NULLS);
    OK(stmt, SQLDescribeColW(stmt, 2, name, 64, &len, &type, &size, &digits, &nullable));
    CHECK(stmt, wide_is(name, "double") && type == SQL_DECIMAL && digits == 2);
    CHECK(stmt, drain(stmt) == 0);
}

static void sheet(SQLHSTMT stmt) {
    OK(stmt,
       SQLExecDirectW(
           stmt,
           wide("SELECT {fn MONTH(\"sample_orders\".\"order_date\")} AS \"mn:order_date:ok\", "
                "SUM(\"sample_orders\".\"price\") AS \"sum:price:ok\" FROM " ORDERS
                " \"sample_orders\" WHERE ((\"sample_orders\".\"order_date\" >= {d "
                "'2024-01-16'}) AND (\"sample_orders\".\"order_date\" <= {d '2024-01-18'})) "
                "GROUP BY 1 HAVING (COUNT(1) > 0)"),
           SQL_NTS));
    OK(stmt, SQLFetch(stmt));
    CHECK(stmt, strcmp(cell(stmt, 1), "1") == 0 && strcmp(cell(stmt, 2), "559.97") == 0);
    CHECK(stmt, drain(stmt) == 0);
}

/* The lists of catalogs, schemas and kinds of table. */
static void enumerations(SQLHSTMT stmt) {
    bool catalog = false, schema = false, kind = false;
    SQLWCHAR none[] = {0};
    OK(stmt, SQLTablesW(stmt, wide("%"), SQL_NTS, none, 0, none, 0, none, 0));
    while (SQLFetch(stmt) == SQL_SUCCESS) {
        catalog |= strcmp(cell(stmt, 1), "mysql_catalog") == 0;
        CHECK(stmt, strcmp(cell(stmt, 3), "(null)") == 0);
    }
    OK(stmt, SQLCloseCursor(stmt));
    OK(stmt, SQLTablesW(stmt, none, 0, wide("%"), SQL_NTS, none, 0, none, 0));
    while (SQLFetch(stmt) == SQL_SUCCESS) schema |= strcmp(cell(stmt, 2), "analytics_db") == 0;
    OK(stmt, SQLCloseCursor(stmt));
    OK(stmt, SQLTablesW(stmt, none, 0, none, 0, none, 0, wide("%"), SQL_NTS));
    while (SQLFetch(stmt) == SQL_SUCCESS) kind |= strcmp(cell(stmt, 4), "TABLE") == 0;
    OK(stmt, SQLCloseCursor(stmt));
    CHECK(stmt, catalog && schema && kind);
}

static void catalog_is(SQLHDBC dbc, const char *name) {
    SQLWCHAR text[128];
    SQLSMALLINT len;
    SQLINTEGER bytes;
    OK(NULL, SQLGetInfoW(dbc, SQL_DATABASE_NAME, text, sizeof text, &len));
    CHECK(NULL, wide_is(text, name));
    OK(NULL, SQLGetConnectAttrW(dbc, SQL_ATTR_CURRENT_CATALOG, text, sizeof text, &bytes));
    CHECK(NULL, wide_is(text, name) && bytes == (SQLINTEGER)strlen(name) * 2);
}

void replay_tableau(const char *dsn) {
    char string[256];
    Session session;
    snprintf(string, sizeof string, "DSN=%s;", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    bitmaps(session.dbc);
    enumerations(session.stmt);
    session_close(&session);
    snprintf(string, sizeof string, "DSN=%s;DATABASE=mysql_catalog", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    catalog_is(session.dbc, "mysql_catalog");
    probes(session.stmt);
    shape(session.stmt);
    sheet(session.stmt);
    session_close(&session);
    snprintf(string, sizeof string, "DSN=%s;DATABASE={tracking_catalog}", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    catalog_is(session.dbc, "tracking_catalog");
    OK(session.stmt, SQLExecDirectW(session.stmt,
                                    wide("SELECT COUNT(*) FROM \"main\".\"tracking\" "
                                         "WHERE \"carrier\" = 'UPS'"),
                                    SQL_NTS));
    OK(session.stmt, SQLFetch(session.stmt));
    CHECK(session.stmt, strcmp(cell(session.stmt, 1), "1") == 0);
    CHECK(session.stmt, drain(session.stmt) == 0);
    session_close(&session);
}
