/*
 * replay_edit.c - programs that edit rows where they show them.
 *
 * ADO over MSDASQL (adOpenKeyset, adLockOptimistic; Delphi's dbGo is the same): a keyset cursor compared by row
 * versions is asked for, rows lie side by side behind a moving offset, only changed columns are written, a row is
 * read again after its change. Visual Basic's RDO: version 2, SQLSetScrollOptions, rdExecDirect of positioned
 * statements with the name that SQLGetCursorName gives. Jet and FireDAC change rows by statements of their own:
 * the key and the old values as parameters.
 */
#include "tests/clients/replay.h"

#define ROWS 3

/* Deprecated: headers of version 3 leave it out, the manager has it. */
SQLRETURN SQL_API SQLSetScrollOptions(SQLHSTMT stmt, SQLUSMALLINT concurrency, SQLLEN keyset,
                                      SQLUSMALLINT rowset);

typedef struct Record {
    SQLLEN id_length, name_length, price_length;
    SQLINTEGER id;
    SQLWCHAR name[21];
    char price[16];
} Record;

static Record records[2 * ROWS];
static SQLUSMALLINT status[ROWS];
static SQLULEN offset, fetched;

/* `before`, the table, `after` */
static void execute(SQLHDBC dbc, const char *before, const char *table, const char *after) {
    SQLHSTMT stmt;
    char sql[400];
    snprintf(sql, sizeof sql, "%s %s %s", before, table, after);
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    OK(stmt, SQLExecDirect(stmt, (SQLCHAR *)sql, SQL_NTS));
    OK(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

static void set(SQLHSTMT stmt, SQLINTEGER attribute, SQLULEN value) {
    OK(stmt, SQLSetStmtAttrW(stmt, attribute, (SQLPOINTER)value, 0));
}

static void bind(SQLHSTMT stmt) {
    set(stmt, SQL_ROWSET_SIZE, ROWS);
    set(stmt, SQL_ATTR_ROW_BIND_TYPE, sizeof(Record));
    OK(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, &offset, 0));
    OK(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &records[0].id, 0, &records[0].id_length));
    OK(stmt, SQLBindCol(stmt, 2, SQL_C_WCHAR, records[0].name, sizeof records[0].name,
                        &records[0].name_length));
    OK(stmt, SQLBindCol(stmt, 3, SQL_C_CHAR, records[0].price, sizeof records[0].price,
                        &records[0].price_length));
}

/* rs.Open , , adOpenKeyset, adLockOptimistic; rs!name = ...: rs.Update; rs.Delete; rs.AddNew. */
static void ado(SQLHDBC dbc, const char *query) {
    SQLHSTMT stmt;
    SQLULEN value;
    Record *r = &records[ROWS];
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    INFO(stmt,
         SQLSetStmtAttrW(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_KEYSET_DRIVEN, 0));
    INFO(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_ROWVER, 0));
    CHECK(stmt, state_is(SQL_HANDLE_STMT, stmt, "01S02"));
    OK(stmt, SQLGetStmtAttrW(stmt, SQL_ATTR_CONCURRENCY, &value, 0, NULL));
    CHECK(stmt, value == SQL_CONCUR_VALUES);
    bind(stmt);
    OK(stmt, SQLExecDirectW(stmt, wide(query), SQL_NTS));
    offset = ROWS * sizeof(Record);
    OK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_FIRST, 0, &fetched, status));
    CHECK(stmt, fetched == 3 && r[1].id == 2 && wide_is(r[1].name, "two"));
    r[1].id_length = r[1].price_length = SQL_COLUMN_IGNORE; /* one column was changed */
    memcpy(r[1].name, wide("second"), 7 * sizeof(SQLWCHAR));
    r[1].name_length = SQL_NTS;
    OK(stmt, SQLSetPos(stmt, 2, SQL_UPDATE, SQL_LOCK_NO_CHANGE));
    CHECK(stmt, status[1] == SQL_ROW_UPDATED);
    OK(stmt, SQLSetPos(stmt, 2, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    CHECK(stmt, r[1].id == 2 && r[1].id_length == 4 && strcmp(r[1].price, "2.50") == 0);
    OK(stmt, SQLSetPos(stmt, 1, SQL_DELETE, SQL_LOCK_NO_CHANGE));
    CHECK(stmt, status[0] == SQL_ROW_DELETED);
    r[0].id = 9;
    r[0].id_length = 4;
    memcpy(r[0].name, wide("ninth"), 6 * sizeof(SQLWCHAR));
    r[0].name_length = 10;
    r[0].price_length = SQL_NULL_DATA;
    OK(stmt, SQLSetPos(stmt, 1, SQL_ADD, SQL_LOCK_NO_CHANGE));
    CHECK(stmt, status[0] == SQL_ROW_ADDED);
    OK(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    offset = 0;
}

/* rdoResultset with rdConcurValues, and its connection's Execute "... WHERE CURRENT OF". */
static void rdo(const char *string, const char *query, const char *table) {
    Session session;
    SQLHSTMT other;
    char name[64], sql[300];
    SQLSMALLINT length;
    session_open(&session, SQL_OV_ODBC2, SQL_CUR_USE_DRIVER, string);
    SQLHSTMT stmt = session.stmt;
    OK(stmt, SQLSetScrollOptions(stmt, SQL_CONCUR_VALUES, SQL_SCROLL_STATIC, ROWS));
    bind(stmt);
    OK(stmt, SQLGetCursorName(stmt, (SQLCHAR *)name, sizeof name, &length));
    OK(stmt, SQLExecDirect(stmt, (SQLCHAR *)query, SQL_NTS));
    OK(stmt, SQLExtendedFetch(stmt, SQL_FETCH_NEXT, 0, &fetched, status));
    CHECK(stmt, fetched == 3 && records[0].id == 2 && records[2].id == 9);
    OK(stmt, SQLSetPos(stmt, 3, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, session.dbc, &other));
    snprintf(sql, sizeof sql, "UPDATE %s SET price = 9.9 WHERE CURRENT OF %s", table, name);
    OK(other, SQLExecDirect(other, (SQLCHAR *)sql, SQL_NTS));
    OK(stmt, SQLSetPos(stmt, 3, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    CHECK(stmt, strcmp(records[2].price, "9.90") == 0);
    snprintf(sql, sizeof sql, "DELETE FROM %s WHERE CURRENT OF %s", table, name);
    OK(stmt, SQLSetPos(stmt, 2, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    OK(other, SQLExecDirect(other, (SQLCHAR *)sql, SQL_NTS));
    OK(other, SQLFreeHandle(SQL_HANDLE_STMT, other));
    session_close(&session);
}

/* A statement per changed row, by the key that SQLPrimaryKeys names and the values that were shown. */
static void jet(SQLHDBC dbc, const char *catalog, const char *schema, const char *table) {
    SQLHSTMT stmt;
    char sql[300];
    SQLINTEGER id = 2;
    SQLLEN rows = 0, null = SQL_NULL_DATA, nts = SQL_NTS;
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    OK(stmt, SQLPrimaryKeys(stmt, (SQLCHAR *)catalog, SQL_NTS, (SQLCHAR *)schema, SQL_NTS,
                            (SQLCHAR *)"replay_edit", SQL_NTS));
    OK(stmt, SQLFetch(stmt));
    CHECK(stmt, strcmp(cell(stmt, 4), "id") == 0);
    OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    snprintf(sql, sizeof sql, "UPDATE %s SET price=? WHERE id = ? AND name = ?", table);
    OK(stmt, SQLPrepare(stmt, (SQLCHAR *)sql, SQL_NTS));
    OK(stmt,
       SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_DECIMAL, 10, 2, NULL, 0, &null));
    OK(stmt,
       SQLBindParameter(stmt, 2, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL));
    OK(stmt, SQLBindParameter(stmt, 3, SQL_PARAM_INPUT, SQL_C_WCHAR, SQL_WVARCHAR, 20, 0,
                              wide("second"), 0, &nts));
    OK(stmt, SQLExecute(stmt));
    OK(stmt, SQLRowCount(stmt, &rows));
    CHECK(stmt, rows == 1);
    CHECK(stmt, SQLFreeStmt(stmt, SQL_CLOSE) == SQL_SUCCESS);
    id = 77; /* somebody else was here: nothing is changed, the program tells its user */
    CHECK(stmt, SQLExecute(stmt) == SQL_NO_DATA);
    OK(stmt, SQLFreeHandle(SQL_HANDLE_STMT, stmt));
}

void replay_edit(const char *dsn) {
    static const char *const places[][2] = {
        {"mem", "default"}, {"write_lite", "main"}, {"write_mysql", "analytics_db"}};
    char string[256], table[100], query[400];
    Session session;
    snprintf(string, sizeof string, "DSN=%s", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(table, sizeof table, "%s.%s.replay_edit", places[i][0], places[i][1]);
        snprintf(query, sizeof query, "SELECT id, name, price FROM %s ORDER BY id", table);
        execute(session.dbc, "DROP TABLE IF EXISTS", table, "");
        execute(session.dbc, "CREATE TABLE", table,
                "(id integer PRIMARY KEY, name varchar(20), price decimal(10,2))");
        execute(session.dbc, "INSERT INTO", table,
                "VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)");
        ado(session.dbc, query);
        rdo(string, query, table);
        jet(session.dbc, places[i][0], places[i][1], table);
        snprintf(
            query, sizeof query,
            "SELECT id, name, price FROM %s WHERE (id = 2 AND name = 'second' AND price IS NULL) "
            "OR (id = 9 AND name = 'ninth' AND price = 9.9)",
            table);
        OK(session.stmt, SQLExecDirect(session.stmt, (SQLCHAR *)query, SQL_NTS));
        CHECK(session.stmt, drain(session.stmt) == 2);
        execute(session.dbc, "DROP TABLE", table, "");
    }
    session_close(&session);
}
