/*
 * insert.c - stores rows of 8 columns through ODBC by arrays of parameters, in one transaction.
 *
 * Usage: insert CONNECTION_STRING TABLE ROWS ARRAY     one line of JSON: seconds, rows
 * The table is made by the program: bigint, integer, double, double, date, timestamp, two texts. A driver
 * that takes no arrays is given one row after the other.
 */
#include <sql.h>
#include <sqlext.h>

#include "tests/bench/bench.h"
#include "tests/bench/insert_rows.h"

#define MOST 4096

typedef struct Rows {
    SQLBIGINT id[MOST];
    SQLINTEGER number[MOST];
    double price[MOST], rate[MOST];
    SQL_DATE_STRUCT day[MOST];
    SQL_TIMESTAMP_STRUCT at[MOST];
    char name[MOST][INSERT_NAME], comment[MOST][INSERT_COMMENT];
    SQLLEN lengths[8][MOST];
} Rows;

static Rows rows;

static void check(SQLRETURN rc, SQLSMALLINT type, SQLHANDLE handle, const char *what) {
    if (SQL_SUCCEEDED(rc)) return;
    SQLCHAR state[6] = "", text[512] = "";
    SQLINTEGER native;
    SQLSMALLINT len;
    SQLGetDiagRec(type, handle, 1, state, &native, text, sizeof text, &len);
    fprintf(stderr, "%s: [%s] %s\n", what, state, text);
    exit(1);
}

static void fill(long first, long count) {
    for (long i = 0; i < count; i++) {
        InsertRow row;
        insert_row(first + i, &row);
        rows.id[i] = row.id;
        rows.number[i] = row.number;
        rows.price[i] = row.price;
        rows.rate[i] = row.rate;
        rows.day[i] = (SQL_DATE_STRUCT){(SQLSMALLINT)row.year, (SQLUSMALLINT)row.month,
                                        (SQLUSMALLINT)row.day};
        rows.at[i] = (SQL_TIMESTAMP_STRUCT){2024, 1, 15, 10, 30, (SQLUSMALLINT)row.second, 0};
        memcpy(rows.name[i], row.name, sizeof row.name);
        memcpy(rows.comment[i], row.comment, sizeof row.comment);
        rows.lengths[6][i] = row.name_length;
        rows.lengths[7][i] = row.comment_length;
    }
}

static void bind(SQLHSTMT stmt) {
    static const struct {
        SQLSMALLINT ctype, type;
        SQLULEN size;
        void *data;
        SQLLEN width;
    } columns[8] = {{SQL_C_SBIGINT, SQL_BIGINT, 19, rows.id, 0},
                    {SQL_C_SLONG, SQL_INTEGER, 10, rows.number, 0},
                    {SQL_C_DOUBLE, SQL_DOUBLE, 15, rows.price, 0},
                    {SQL_C_DOUBLE, SQL_DOUBLE, 15, rows.rate, 0},
                    {SQL_C_TYPE_DATE, SQL_TYPE_DATE, 10, rows.day, 0},
                    {SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 19, rows.at, 0},
                    {SQL_C_CHAR, SQL_VARCHAR, 16, rows.name, 16},
                    {SQL_C_CHAR, SQL_VARCHAR, 40, rows.comment, 40}};
    for (SQLUSMALLINT i = 0; i < 8; i++)
        check(SQLBindParameter(stmt, (SQLUSMALLINT)(i + 1), SQL_PARAM_INPUT, columns[i].ctype,
                               columns[i].type, columns[i].size, 0, columns[i].data,
                               columns[i].width, rows.lengths[i]),
              SQL_HANDLE_STMT, stmt, "parameter");
}

static double store(SQLHDBC dbc, SQLHSTMT stmt, const char *table, long total, long array) {
    char sql[300];
    snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?, ?, ?, ?, ?, ?, ?, ?)", table);
    check(SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt, "prepare");
    if (!SQL_SUCCEEDED(SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)array, 0)))
        array = 1;
    bind(stmt);
    double seconds = 0;
    for (long done = 0; done < total; done += array) {
        fill(done, array);
        double start = bench_now();
        check(SQLExecute(stmt), SQL_HANDLE_STMT, stmt, "insert");
        seconds += bench_now() - start;
    }
    double start = bench_now();
    check(SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT), SQL_HANDLE_DBC, dbc, "commit");
    return seconds + bench_now() - start;
}

static long count(SQLHSTMT stmt, const char *table) {
    char sql[200];
    SQLBIGINT n = -1;
    SQLSetStmtAttr(stmt, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1, 0);
    SQLFreeStmt(stmt, SQL_CLOSE);
    SQLFreeStmt(stmt, SQL_RESET_PARAMS);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    check(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt, sql);
    check(SQLFetch(stmt), SQL_HANDLE_STMT, stmt, "fetch");
    check(SQLGetData(stmt, 1, SQL_C_SBIGINT, &n, 0, NULL), SQL_HANDLE_STMT, stmt, "count");
    SQLFreeStmt(stmt, SQL_CLOSE);
    return (long)n;
}

int main(int argc, char **argv) {
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
    char sql[400];
    long total = argc == 5 ? atol(argv[3]) : 0, array = argc == 5 ? atol(argv[4]) : 0;
    if (array < 1 || array > MOST || total < 1) {
        fprintf(stderr, "usage: insert CONNECTION_STRING TABLE ROWS ARRAY\n");
        return 2;
    }
    SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &env);
    SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
    check(SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc), SQL_HANDLE_ENV, env, "connection");
    check(SQLDriverConnect(dbc, NULL, (SQLCHAR *)argv[1], SQL_NTS, NULL, 0, NULL,
                           SQL_DRIVER_NOPROMPT),
          SQL_HANDLE_DBC, dbc, "connect");
    check(SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt), SQL_HANDLE_DBC, dbc, "statement");
    snprintf(sql, sizeof sql,
             "CREATE TABLE %s (id bigint, number integer, price double, rate double, day date, at "
             "timestamp, name varchar(16), comment varchar(40))",
             argv[2]);
    check(SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS), SQL_HANDLE_STMT, stmt, "create");
    check(SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0),
          SQL_HANDLE_DBC, dbc, "autocommit");
    double seconds = store(dbc, stmt, argv[2], total, array);
    long stored = count(stmt, argv[2]);
    SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_COMMIT);
    printf("{\"seconds\": %.6f, \"rows\": %ld}\n", seconds, stored);
    SQLFreeHandle(SQL_HANDLE_STMT, stmt);
    SQLDisconnect(dbc);
    SQLFreeHandle(SQL_HANDLE_DBC, dbc);
    SQLFreeHandle(SQL_HANDLE_ENV, env);
    return stored == total ? 0 : 1;
}
