/*
 * bench_fetch.c - nanoseconds of processor per cell of the driver alone: block fetches and SQLGetData
 * over one batch that costs nothing to make.
 */
#include "tests/odbc/odbc_test.h"

#include <time.h>

#define ROWS    1000
#define BATCHES 2000
#define TOTAL   (BATCHES * 2048.0)

static Odbc odbc;
static char cells[ROWS * 128];
static SQLLEN lengths[ROWS];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void block(Link *link, SQLUSMALLINT column, SQLSMALLINT ctype, SQLLEN capacity,
                  const char *what) {
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)ROWS, 0));
    OK(odbc.SQLBindCol(link->stmt, column, ctype, cells, capacity, lengths));
    run_ok(link, "bench 2000");
    double start = now();
    while (SQL_SUCCEEDED(odbc.SQLFetch(link->stmt))) {
    }
    printf("%-28s %6.2f ns per cell\n", what, (now() - start) / TOTAL);
    close_cursor(link);
    OK(odbc.SQLFreeStmt(link->stmt, SQL_UNBIND));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0));
}

int main(void) {
    Link link;
    SQLLEN n;
    odbc_load(&odbc, FAKE_DRIVER);
    link_open(&link, &odbc, SQL_OV_ODBC3, "Driver=fake", false);
    block(&link, 1, SQL_C_SLONG, 0, "integer as SLONG");
    block(&link, 2, SQL_C_SBIGINT, 0, "bigint as SBIGINT");
    block(&link, 3, SQL_C_DOUBLE, 0, "double as DOUBLE");
    block(&link, 4, SQL_C_DOUBLE, 0, "decimal as DOUBLE");
    block(&link, 4, SQL_C_CHAR, 20, "decimal as CHAR");
    block(&link, 4, SQL_C_NUMERIC, 0, "decimal as NUMERIC");
    block(&link, 5, SQL_C_CHAR, 64, "varchar as CHAR");
    block(&link, 5, SQL_C_WCHAR, 128, "varchar as WCHAR");
    block(&link, 6, SQL_C_TYPE_DATE, 0, "date as DATE");
    block(&link, 6, SQL_C_CHAR, 20, "date as CHAR");
    block(&link, 7, SQL_C_TYPE_TIMESTAMP, 0, "timestamp as TIMESTAMP");
    block(&link, 7, SQL_C_CHAR, 30, "timestamp as CHAR");
    block(&link, 1, SQL_C_CHAR, 20, "integer as CHAR");
    block(&link, 3, SQL_C_CHAR, 30, "double as CHAR");
    run_ok(&link, "bench 200");
    double start = now();
    while (SQL_SUCCEEDED(odbc.SQLFetch(link.stmt))) {
    }
    printf("%-28s %6.2f ns per row\n", "SQLFetch", (now() - start) / (200 * 2048.0));
    close_cursor(&link);
    run_ok(&link, "bench 200");
    start = now();
    while (SQL_SUCCEEDED(odbc.SQLFetch(link.stmt)))
        (void)odbc.SQLGetData(link.stmt, 5, SQL_C_CHAR, cells, 300, &n);
    printf("%-28s %6.2f ns per row\n", "SQLFetch + SQLGetData CHAR",
           (now() - start) / (200 * 2048.0));
    close_cursor(&link);
    run_ok(&link, "bench 200");
    start = now();
    while (SQL_SUCCEEDED(odbc.SQLFetch(link.stmt)))
        (void)odbc.SQLGetData(link.stmt, 1, SQL_C_SLONG, cells, 4, &n);
    printf("%-28s %6.2f ns per row\n", "SQLFetch + SQLGetData SLONG",
           (now() - start) / (200 * 2048.0));
    link_close(&link);
    return 0;
}
