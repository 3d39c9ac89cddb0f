/*
 * fetch.c - reads a query through ODBC with a block cursor, or connects in a loop.
 *
 * Usage: fetch CONNECTION_STRING QUERY [rowset]     one line of JSON: seconds, rows, memory
 *        fetch CONNECTION_STRING --connect N        connect + SELECT 1 + disconnect, N times
 * Columns are bound column-wise as the C type that fits their SQL type. Memory is counted from the idle
 * connection on.
 */
#include <sql.h>
#include <sqlext.h>

#include "tests/bench/bench.h"

#define MAX_COLUMNS 64

static SQLHENV env;

static void check(SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle, const char *what) {
    if (SQL_SUCCEEDED(rc)) return;
    SQLCHAR state[6] = "", text[512] = "";
    SQLINTEGER native;
    SQLSMALLINT len;
    SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, &len);
    fprintf(stderr, "%s: [%s] %s\n", what, state, text);
    exit(1);
}

static SQLHDBC connect_to(const char *string) {
    SQLHDBC dbc;
    check(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc), SQL_HANDLE_ENV, env, "connection");
    check(
        SQLDriverConnect(dbc, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT),
        SQL_HANDLE_DBC, dbc, "connect");
    return dbc;
}

static void disconnect(SQLHDBC dbc) {
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
}

static SQLSMALLINT c_type(SQLSMALLINT sql, SQLLEN *width, SQLULEN size) {
    switch (sql) {
    case SQL_BIT:
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER: *width = 4; return SQL_C_SLONG;
    case SQL_BIGINT: *width = 8; return SQL_C_SBIGINT;
    case SQL_REAL:
    case SQL_FLOAT:
    case SQL_DECIMAL:
    case SQL_NUMERIC:
    case SQL_DOUBLE: *width = 8; return SQL_C_DOUBLE;
    case SQL_DATE:
    case SQL_TYPE_DATE: *width = sizeof(SQL_DATE_STRUCT); return SQL_C_TYPE_DATE;
    case SQL_TIMESTAMP:
    case SQL_TYPE_TIMESTAMP: *width = sizeof(SQL_TIMESTAMP_STRUCT); return SQL_C_TYPE_TIMESTAMP;
    default: *width = (SQLLEN)(size > 0 && size < 256 ? size * 4 + 1 : 256); return SQL_C_CHAR;
    }
}

static void bind_columns(SQLHSTMT stmt, SQLULEN rowset) {
    SQLSMALLINT n;
    check(SQLNumResultCols(stmt, &n), SQL_HANDLE_STMT, stmt, "columns");
    for (SQLUSMALLINT i = 1; i <= n && i <= MAX_COLUMNS; i++) {
        SQLCHAR name[128];
        SQLSMALLINT len, type, digits, nullable;
        SQLULEN size;
        SQLLEN width;
        check(SQLDescribeCol(stmt, i, name, sizeof name, &len, &type, &size, &digits, &nullable),
              SQL_HANDLE_STMT, stmt, "describe");
        SQLSMALLINT ctype = c_type(type, &width, size);
        void *data = calloc(rowset, (size_t)width);
        SQLLEN *lengths = calloc(rowset, sizeof *lengths);
        check(SQLBindCol(stmt, i, ctype, data, width, lengths), SQL_HANDLE_STMT, stmt, "bind");
    }
}

static void fetch_all(const char *string, const char *query, SQLULEN rowset) {
    SQLHDBC dbc = connect_to(string);
    SQLHSTMT stmt;
    SQLULEN got = 0;
    unsigned long long rows = 0;
    check(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc, "statement");
    bench_memory_reset();
    long before = bench_memory_kib("VmRSS");
    double start = bench_now();
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)rowset, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &got, 0);
    check(SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS), SQL_HANDLE_STMT, stmt, "execute");
    bind_columns(stmt, rowset);
    SQLRETURN rc;
    while ((rc = SQLFetch(stmt)) != SQL_NO_DATA) {
        check(rc, SQL_HANDLE_STMT, stmt, "fetch");
        rows += got;
    }
    double seconds = bench_now() - start;
    printf("{\"seconds\": [%.6f], \"rows\": %llu, \"before_kib\": %ld, \"peak_kib\": %ld}\n",
           seconds, rows, before, bench_memory_kib("VmHWM"));
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    disconnect(dbc);
}

static void connect_loop(const char *string, long count) {
    double start = bench_now();
    for (long i = 0; i < count; i++) {
        SQLHDBC dbc = connect_to(string);
        SQLHSTMT stmt;
        check(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc, "statement");
        check(SQLExecDirect(stmt, (SQLCHAR *)"SELECT 1", SQL_NTS), SQL_HANDLE_STMT, stmt,
              "execute");
        check(SQLFetch(stmt), SQL_HANDLE_STMT, stmt, "fetch");
        SQLFreeHandle(SQL_HANDLE_STMT, stmt);
        disconnect(dbc);
    }
    printf("{\"seconds\": [%.9f]}\n", (bench_now() - start) / (double)count);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: fetch CONNECTION_STRING QUERY [rowset] | --connect N\n");
        return 2;
    }
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    if (strcmp(argv[2], "--connect") == 0 && argc > 3) {
        connect_loop(argv[1], strtol(argv[3], NULL, 10));
    } else {
        fetch_all(argv[1], argv[2], argc > 3 ? (SQLULEN)strtol(argv[3], NULL, 10) : 1000);
    }
    return 0;
}
