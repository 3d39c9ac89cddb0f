/*
 * replay_cursor_library.c - a program that lets the manager's cursor library scroll
 * (SQL_ATTR_ODBC_CURSORS = SQL_CUR_USE_ODBC): it reads the driver's forward-only rows into a file of its
 * own through the ANSI entries. (Right after SQL_FETCH_LAST and SQL_FETCH_ABSOLUTE the library's
 * SQL_FETCH_PRIOR stays where it is, over any driver.)
 */
#include "tests/clients/replay.h"

typedef struct Row {
    SQLINTEGER id;
    SQLLEN id_length;
    char name[64];
    SQLLEN name_length;
    double price;
    SQLLEN price_length;
} Row;

static void row_is(SQLHSTMT stmt, const Row *row, SQLINTEGER id, const char *name, double price) {
    CHECK(stmt, row->id == id && row->id_length == sizeof(SQLINTEGER));
    CHECK(stmt, strcmp(row->name, name) == 0 && row->name_length == (SQLLEN)strlen(name));
    CHECK(stmt, row->price == price);
}

static void scrolling(SQLHSTMT stmt, Row *row) {
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    row_is(stmt, row, 1001, "Laptop Pro 15", 1299.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_NEXT, 0));
    row_is(stmt, row, 1002, "Wireless Mouse", 29.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_PRIOR, 0));
    row_is(stmt, row, 1001, "Laptop Pro 15", 1299.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_LAST, 0));
    row_is(stmt, row, 1006, "USB-C Hub", 79.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_ABSOLUTE, 5));
    row_is(stmt, row, 1005, "Noise-Canceling Headphones", 249.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_FIRST, 0));
    row_is(stmt, row, 1001, "Laptop Pro 15", 1299.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_RELATIVE, 3));
    row_is(stmt, row, 1004, "4K Monitor", 399.99);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_RELATIVE, -1));
    row_is(stmt, row, 1003, "Mechanical Keyboard", 129.99);
}

static void extended(SQLHSTMT stmt, Row *rows) {
    SQLULEN fetched;
    SQLUSMALLINT status[4];
    OK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    CHECK(stmt, fetched == 4 && status[3] == SQL_ROW_SUCCESS);
    row_is(stmt, &rows[3], 1004, "4K Monitor", 399.99);
    OK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    CHECK(stmt, fetched == 2 && status[1] == SQL_ROW_SUCCESS);
    row_is(stmt, &rows[1], 1006, "USB-C Hub", 79.99);
    CHECK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &fetched, status) == SQL_NO_DATA);
    OK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_FIRST, 0, &fetched, status));
    row_is(stmt, &rows[0], 1001, "Laptop Pro 15", 1299.99);
}

void replay_cursor_library(const char *dsn) {
    static const char query[] = "SELECT order_id, product_name, price FROM "
                                "mysql_catalog.analytics_db.sample_orders ORDER BY order_id";
    char string[256];
    Session session;
    Row rows[4];
    snprintf(string, sizeof string, "DSN=%s", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_ODBC, string);
    SQLHSTMT stmt = session.stmt;
    for (int block = 0; block < 2; block++) {
        memset(rows, 0, sizeof rows);
        OK(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
        OK(stmt, SQLSetStmtAttr(stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)sizeof(Row), 0));
        OK(stmt, SQLSetStmtAttr(stmt, SQL_ROWSET_SIZE, (SQLPOINTER)(SQLULEN)(block ? 4 : 1), 0));
        OK(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &rows->id, 0, &rows->id_length));
        OK(stmt,
           SQLBindCol(stmt, 2, SQL_C_CHAR, rows->name, sizeof rows->name, &rows->name_length));
        OK(stmt, SQLBindCol(stmt, 3, SQL_C_DOUBLE, &rows->price, 0, &rows->price_length));
        OK(stmt, SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS));
        if (block)
            extended(stmt, rows);
        else
            scrolling(stmt, rows);
        OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
        OK(stmt, SQLFreeStmt(stmt, SQL_UNBIND));
    }
    session_close(&session);
}
