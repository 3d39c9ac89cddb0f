/*
 * fetch.c - reads queries through ODBC with a block cursor or cell by cell, or connects in a loop.
 *
 * Usage: fetch CONNECTION_STRING QUERY [rowset]     one line of JSON: seconds, rows, memory
 *        fetch CONNECTION_STRING --connect N        connect + SELECT 1 + disconnect, N times
 *        fetch CONNECTION_STRING --serve            a line "MODE QUERY" on standard input, a line of JSON
 *                                                   on standard output, until the input ends
 * Modes: block   rowsets of 1,000, columns bound column-wise as the C type that fits their SQL type
 *        static  the same over a static cursor: to the last row, back to the first, and through
 *        char    SQLFetch, then SQLGetData of each column as text (as isql does)
 *        typed   SQLFetch, then SQLGetData of each column as its type, numbers of fixed point and text
 *                as UTF-16 (as pyodbc does)
 *        run     a statement without rows
 * Memory is counted from before the statement on.
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

typedef struct Column {
    SQLSMALLINT ctype;
    SQLLEN width;
    void *data;
    SQLLEN *lengths;
} Column;

/* What the result's columns are read as, with buffers for `rowset` rows. */
static SQLUSMALLINT describe_columns(SQLHSTMT stmt, Column *columns, SQLULEN rowset) {
    SQLSMALLINT n;
    check(SQLNumResultCols(stmt, &n), SQL_HANDLE_STMT, stmt, "columns");
    if (n > MAX_COLUMNS) n = MAX_COLUMNS;
    for (SQLUSMALLINT i = 0; i < n; i++) {
        SQLCHAR name[128];
        SQLSMALLINT len, type, digits, nullable;
        SQLULEN size;
        check(SQLDescribeCol(stmt, (SQLUSMALLINT)(i + 1), name, sizeof name, &len, &type, &size,
                             &digits, &nullable),
              SQL_HANDLE_STMT, stmt, "describe");
        columns[i].ctype = c_type(type, &columns[i].width, size);
        columns[i].data = calloc(rowset, (size_t)columns[i].width);
        columns[i].lengths = calloc(rowset, sizeof(SQLLEN));
    }
    return (SQLUSMALLINT)n;
}

static void free_columns(Column *columns, SQLUSMALLINT n) {
    for (SQLUSMALLINT i = 0; i < n; i++) {
        free(columns[i].data);
        free(columns[i].lengths);
    }
}

static unsigned long long drain(SQLHSTMT stmt, SQLULEN *got) {
    unsigned long long rows = 0;
    SQLRETURN rc;
    while ((rc = SQLFetch(stmt)) != SQL_NO_DATA) {
        check(rc, SQL_HANDLE_STMT, stmt, "fetch");
        rows += *got;
    }
    return rows;
}

static unsigned long long scroll(SQLHSTMT stmt, SQLULEN *got) {
    check(SQLFetchScroll(stmt, SQL_FETCH_LAST, 0), SQL_HANDLE_STMT, stmt, "last");
    check(SQLFetchScroll(stmt, SQL_FETCH_FIRST, 0), SQL_HANDLE_STMT, stmt, "first");
    return *got + drain(stmt, got);
}

static unsigned long long run_block(SQLHSTMT stmt, const char *query, SQLULEN rowset,
                                    int scrollable) {
    Column columns[MAX_COLUMNS];
    SQLULEN got = 0;
    SQLSetStmtAttr(stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)rowset, 0);
    SQLSetStmtAttr(stmt, SQL_ATTR_ROWS_FETCHED_PTR, &got, 0);
    if (scrollable)
        check(SQLSetStmtAttr(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0),
              SQL_HANDLE_STMT, stmt, "static cursor");
    check(SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS), SQL_HANDLE_STMT, stmt, "execute");
    SQLUSMALLINT n = describe_columns(stmt, columns, rowset);
    for (SQLUSMALLINT i = 0; i < n; i++)
        check(SQLBindCol(stmt, (SQLUSMALLINT)(i + 1), columns[i].ctype, columns[i].data,
                         columns[i].width, columns[i].lengths),
              SQL_HANDLE_STMT, stmt, "bind");
    unsigned long long rows = scrollable ? scroll(stmt, &got) : drain(stmt, &got);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLFreeStmt(stmt, SQL_UNBIND);
    free_columns(columns, n);
    return rows;
}

/* As pyodbc reads: numbers of fixed point as text, all text as UTF-16. */
static void type_columns(SQLHSTMT stmt, Column *columns, SQLUSMALLINT n) {
    for (SQLUSMALLINT i = 0; i < n; i++) {
        SQLLEN type = 0;
        check(SQLColAttribute(stmt, (SQLUSMALLINT)(i + 1), SQL_DESC_CONCISE_TYPE, NULL, 0, NULL,
                              &type),
              SQL_HANDLE_STMT, stmt, "type");
        if (columns[i].ctype == SQL_C_CHAR || type == SQL_DECIMAL || type == SQL_NUMERIC)
            columns[i].ctype = SQL_C_WCHAR;
    }
}

static unsigned long long run_cells(SQLHSTMT stmt, const char *query, int typed) {
    Column columns[MAX_COLUMNS];
    char buffer[602];
    SQLLEN length;
    unsigned long long rows = 0;
    SQLRETURN rc;
    check(SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS), SQL_HANDLE_STMT, stmt, "execute");
    SQLUSMALLINT n = describe_columns(stmt, columns, 1);
    if (typed) type_columns(stmt, columns, n);
    while ((rc = SQLFetch(stmt)) != SQL_NO_DATA) {
        check(rc, SQL_HANDLE_STMT, stmt, "fetch");
        for (SQLUSMALLINT i = 0; i < n; i++)
            check(SQLGetData(stmt, (SQLUSMALLINT)(i + 1), typed ? columns[i].ctype : SQL_C_CHAR,
                             buffer, typed ? (SQLLEN)sizeof buffer : 301, &length),
                  SQL_HANDLE_STMT, stmt, "get data");
        rows++;
    }
    free_columns(columns, n);
    return rows;
}

static unsigned long long run_mode(SQLHSTMT stmt, const char *mode, const char *query,
                                   SQLULEN rowset) {
    if (strcmp(mode, "block") == 0) return run_block(stmt, query, rowset, 0);
    if (strcmp(mode, "static") == 0) return run_block(stmt, query, rowset, 1);
    if (strcmp(mode, "char") == 0) return run_cells(stmt, query, 0);
    if (strcmp(mode, "typed") == 0) return run_cells(stmt, query, 1);
    if (strcmp(mode, "run") != 0) {
        fprintf(stderr, "there is no mode %s\n", mode);
        exit(2);
    }
    SQLRETURN rc = SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS);
    if (rc != SQL_NO_DATA) check(rc, SQL_HANDLE_STMT, stmt, "run");
    return 0;
}

/* One statement and its line of JSON. */
static void report(SQLHDBC dbc, const char *mode, const char *query, SQLULEN rowset) {
    SQLHSTMT stmt;
    check(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc, "statement");
    bench_memory_reset();
    long before = bench_memory_kib("VmRSS");
    double start = bench_now(), cpu = bench_cpu();
    unsigned long long rows = run_mode(stmt, mode, query, rowset);
    double seconds = bench_now() - start;
    printf("{\"seconds\": [%.6f], \"cpu\": %.6f, \"rows\": %llu, \"before_kib\": %ld, "
           "\"peak_kib\": %ld}\n",
           seconds, bench_cpu() - cpu, rows, before, bench_memory_kib("VmHWM"));
    fflush(stdout);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static void serve(SQLHDBC dbc) {
    char *line = NULL;
    size_t capacity = 0;
    ssize_t n;
    while ((n = getline(&line, &capacity, stdin)) > 0) {
        if (line[n - 1] == '\n') line[n - 1] = 0;
        char *space = strchr(line, ' ');
        if (!space) continue;
        *space = 0;
        report(dbc, line, space + 1, 1000);
    }
    free(line);
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
        fprintf(stderr, "usage: fetch CONNECTION_STRING QUERY [rowset] | --connect N | --serve\n");
        return 2;
    }
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    if (strcmp(argv[2], "--connect") == 0 && argc > 3) {
        connect_loop(argv[1], strtol(argv[3], NULL, 10));
    } else {
        SQLHDBC dbc = connect_to(argv[1]);
        if (strcmp(argv[2], "--serve") == 0)
            serve(dbc);
        else
            report(dbc, "block", argv[2], argc > 3 ? (SQLULEN)strtol(argv[3], NULL, 10) : 1000);
        disconnect(dbc);
    }
    return 0;
}
