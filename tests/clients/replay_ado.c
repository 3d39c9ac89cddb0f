/*
 * replay_ado.c - Excel through ADO and MSDASQL: SQLExtendedFetch over row-wise bindings that move by
 * SQL_ATTR_ROW_BIND_OFFSET_PTR, SQL_ROWSET_SIZE, parameters that move by SQL_ATTR_PARAM_BIND_OFFSET_PTR,
 * SQL_ATTR_RETRIEVE_DATA off where only the position counts, SQLSetPos and SQLGetData for long columns.
 */
#include "tests/clients/replay.h"

#define ROWS    4
#define NUMBERS "mysql_catalog.analytics_db.numbers"

/* As MSDASQL lays rows out: lengths and values side by side. */
typedef struct Record {
    SQLLEN id_length, text_length, date_length;
    SQLINTEGER id;
    SQLWCHAR text[41];
    SQL_DATE_STRUCT date;
} Record;

typedef struct Binding {
    SQLULEN offset;
    SQLULEN fetched;
    SQLUSMALLINT status[ROWS];
    Record records[ROWS * 2];
} Binding;

static void set(SQLHSTMT stmt, SQLINTEGER attribute, SQLULEN value) {
    OK(stmt, SQLSetStmtAttrW(stmt, attribute, (SQLPOINTER)value, 0));
}

static void bind(SQLHSTMT stmt, Binding *b) {
    Record *r = b->records;
    set(stmt, SQL_ROWSET_SIZE, ROWS);
    set(stmt, SQL_ATTR_ROW_BIND_TYPE, sizeof(Record));
    OK(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, &b->offset, 0));
    OK(stmt, SQLBindCol(stmt, 1, SQL_C_SLONG, &r->id, sizeof r->id, &r->id_length));
    OK(stmt, SQLBindCol(stmt, 2, SQL_C_WCHAR, r->text, sizeof r->text, &r->text_length));
    OK(stmt, SQLBindCol(stmt, 3, SQL_C_TYPE_DATE, &r->date, sizeof r->date, &r->date_length));
}

static SQLRETURN extended(SQLHSTMT stmt, Binding *b, SQLUSMALLINT orientation, SQLLEN offset) {
    return SQLExtendedFetch(stmt, orientation, offset, &b->fetched, b->status);
}

/* Rows `first` ... of the ten (id, 'row id', 2024-01-id) stand at the offset. */
static void rows_are(SQLHSTMT stmt, const Binding *b, int first, SQLULEN count) {
    const Record *r = (const Record *)(const void *)((const char *)b->records + b->offset);
    CHECK(stmt, b->fetched == count);
    for (SQLULEN i = 0; i < ROWS; i++) {
        char text[16];
        int id = first + (int)i;
        CHECK(stmt, b->status[i] == (i < count ? SQL_ROW_SUCCESS : SQL_ROW_NOROW));
        if (i >= count) continue;
        snprintf(text, sizeof text, "row %d", id);
        CHECK(stmt, r[i].id == id && r[i].id_length == sizeof(SQLINTEGER));
        CHECK(stmt, wide_is(r[i].text, text) && r[i].text_length == (SQLLEN)strlen(text) * 2);
        if (id == 5)
            CHECK(stmt, r[i].date_length == SQL_NULL_DATA);
        else
            CHECK(stmt, r[i].date.month == 1 && r[i].date.day == id);
    }
}

static const char ten[] = "SELECT id, t, nullif(date_add('day', id - 1, DATE '2024-01-01'), DATE "
                          "'2024-01-05') AS d FROM " NUMBERS " WHERE id <= 10 ORDER BY id";

/* A recordset that is read once: block by block, into one half of the buffer and the other. */
static void forward(SQLHSTMT stmt, Binding *b) {
    int first = 1;
    bind(stmt, b);
    OK(stmt, SQLExecDirectW(stmt, wide(ten), SQL_NTS));
    for (SQLULEN left = 10; left > 0; left -= b->fetched, first += ROWS) {
        b->offset = b->offset ? 0 : ROWS * sizeof(Record);
        OK(stmt, extended(stmt, b, SQL_FETCH_NEXT, 0));
        rows_are(stmt, b, first, left < ROWS ? left : ROWS);
    }
    CHECK(stmt, extended(stmt, b, SQL_FETCH_NEXT, 0) == SQL_NO_DATA);
    OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
}

/* A keyset is asked for, a static cursor is given; MoveFirst, MoveLast, MovePrevious, Move. */
static void scrolling(SQLHSTMT stmt, Binding *b) {
    SQLULEN type = 0;
    INFO(stmt,
         SQLSetStmtAttrW(stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_KEYSET_DRIVEN, 0));
    CHECK(stmt, state_is(SQL_HANDLE_STMT, stmt, "01S02"));
    OK(stmt, SQLGetStmtAttrW(stmt, SQL_ATTR_CURSOR_TYPE, &type, 0, NULL));
    CHECK(stmt, type == SQL_CURSOR_STATIC);
    OK(stmt, SQLExecDirectW(stmt, wide(ten), SQL_NTS));
    OK(stmt, extended(stmt, b, SQL_FETCH_LAST, 0));
    rows_are(stmt, b, 7, ROWS);
    OK(stmt, extended(stmt, b, SQL_FETCH_PRIOR, 0));
    rows_are(stmt, b, 3, ROWS);
    OK(stmt, extended(stmt, b, SQL_FETCH_FIRST, 0));
    rows_are(stmt, b, 1, ROWS);
    OK(stmt, extended(stmt, b, SQL_FETCH_RELATIVE, 3));
    rows_are(stmt, b, 4, ROWS);
    OK(stmt, extended(stmt, b, SQL_FETCH_ABSOLUTE, 9));
    rows_are(stmt, b, 9, 2);
    CHECK(stmt, extended(stmt, b, SQL_FETCH_NEXT, 0) == SQL_NO_DATA);
    OK(stmt, extended(stmt, b, SQL_FETCH_ABSOLUTE, -10));
    rows_are(stmt, b, 1, ROWS);
}

/* A row of the block is made the current one: its long columns are read, in parts. */
static void positioned(SQLHSTMT stmt, Binding *b) {
    SQLWCHAR text[4];
    SQLLEN length;
    OK(stmt, SQLSetPos(stmt, 3, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    INFO(stmt, SQLGetData(stmt, 2, SQL_C_WCHAR, text, sizeof text, &length));
    CHECK(stmt, wide_is(text, "row") && length == 10);
    OK(stmt, SQLGetData(stmt, 2, SQL_C_WCHAR, text, sizeof text, &length));
    CHECK(stmt, wide_is(text, " 3") && length == 4);
    CHECK(stmt, SQLGetData(stmt, 2, SQL_C_WCHAR, text, sizeof text, &length) == SQL_NO_DATA);
    memset(b->records, 0, sizeof b->records);
    set(stmt, SQL_ATTR_RETRIEVE_DATA, SQL_RD_OFF);
    OK(stmt, extended(stmt, b, SQL_FETCH_NEXT, 0));
    CHECK(stmt, b->fetched == ROWS && b->records[0].id == 0);
    set(stmt, SQL_ATTR_RETRIEVE_DATA, SQL_RD_ON);
    OK(stmt, SQLSetPos(stmt, 0, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    rows_are(stmt, b, 5, ROWS);
    OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    set(stmt, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_FORWARD_ONLY);
}

/* A command with parameters: described, bound in a row whose place moves from execution to execution. */
static void parameters(SQLHSTMT stmt, Binding *b) {
    struct {
        SQLLEN length;
        SQLINTEGER value;
    } values[2] = {{0, 3}, {0, 8}};
    SQLULEN offset = 0, size;
    SQLSMALLINT n, type, digits, nullable;
    b->offset = 0;
    OK(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_PARAM_BIND_OFFSET_PTR, &offset, 0));
    OK(stmt,
       SQLPrepareW(stmt,
                   wide("SELECT id, t, nullif(date_add('day', id - 1, DATE '2024-01-01'), DATE "
                        "'2024-01-05') AS d FROM " NUMBERS " WHERE id = ?"),
                   SQL_NTS));
    OK(stmt, SQLNumParams(stmt, &n));
    CHECK(stmt, n == 1);
    OK(stmt, SQLDescribeParam(stmt, 1, &type, &size, &digits, &nullable));
    CHECK(stmt, type == SQL_INTEGER && size == 10);
    OK(stmt, SQLBindParameter(stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, type, size, digits,
                              &values[0].value, sizeof(SQLINTEGER), &values[0].length));
    for (unsigned i = 0; i < 2; i++) {
        offset = i * sizeof values[0];
        OK(stmt, SQLExecute(stmt));
        OK(stmt, extended(stmt, b, SQL_FETCH_NEXT, 0));
        rows_are(stmt, b, values[i].value, 1);
        OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    }
    OK(stmt, SQLFreeStmt(stmt, SQL_RESET_PARAMS));
}

/* Bookmarks of variable length, kept and returned to. */
static void bookmarks(SQLHSTMT stmt) {
    unsigned char mark[16];
    SQLLEN length;
    SQLINTEGER id;
    set(stmt, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set(stmt, SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
    OK(stmt, SQLExecDirectW(stmt, wide(ten), SQL_NTS));
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_ABSOLUTE, 6));
    OK(stmt, SQLGetData(stmt, 0, SQL_C_VARBOOKMARK, mark, sizeof mark, &length));
    CHECK(stmt, length > 0 && length <= (SQLLEN)sizeof mark);
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_FIRST, 0));
    OK(stmt, SQLSetStmtAttrW(stmt, SQL_ATTR_FETCH_BOOKMARK_PTR, mark, 0));
    OK(stmt, SQLFetchScroll(stmt, SQL_FETCH_BOOKMARK, 1));
    OK(stmt, SQLGetData(stmt, 1, SQL_C_SLONG, &id, 0, &length));
    CHECK(stmt, id == 7);
    OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
}

void replay_ado(const char *dsn) {
    static Binding binding;
    char string[256];
    Session session;
    snprintf(string, sizeof string, "DSN=%s", dsn);
    session_open(&session, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    forward(session.stmt, &binding);
    scrolling(session.stmt, &binding);
    positioned(session.stmt, &binding);
    parameters(session.stmt, &binding);
    OK(NULL,
       SQLFreeHandle(SQL_HANDLE_STMT, session.stmt)); /* a prepared one keeps its cursor's type */
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, session.dbc, &session.stmt));
    bookmarks(session.stmt);
    session_close(&session);
}
