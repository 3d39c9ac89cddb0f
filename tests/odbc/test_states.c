/*
 * test_states.c - a walk through the tables of state transitions (appendix B of the ODBC specification):
 * every exported function in every state of its handle, over an engine of canned results, called directly
 * and through the manager.
 *
 * A cell says what becomes of the handle. After each call the state is found out by calls that answer
 * differently in each state, so that a call which is refused is shown to have changed nothing, and one that
 * is taken to have moved the handle where the specification says.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

#include <sqlext.h>

static Odbc direct, manager;
static Odbc *odbc; /* the one of the two that is walked */
static char folder[] = "/tmp/tributary_states_XXXXXX";

static int load(void **state) {
    char path[200];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/odbcinst.ini", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "[Fake]\nDriver=%s\nThreading=0\n", FAKE_DRIVER);
    fclose(file);
    snprintf(path, sizeof path, "%s/odbc.ini", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("[Walk]\nDriver=Fake\n", file);
    fclose(file);
    setenv("ODBCSYSINI", folder, 1);
    setenv("ODBCINI", "/nonexistent", 1);
    odbc_load(&direct, FAKE_DRIVER);
    odbc_load(&manager, "libodbc.so.2");
    return 0;
}

static int unload(void **state) {
    char path[200];
    snprintf(path, sizeof path, "%s/odbcinst.ini", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/odbc.ini", folder);
    unlink(path);
    return rmdir(folder);
}

/* ---------------------------------------------------------------- cells

 * =     taken, or refused for a reason that has nothing to do with states; the state stays
 * 1-9   taken, and the statement is in that state then; A is S10, B is S11
 * 0     the handle is gone
 * S     HY010, the state stays        C  24000, the state stays
 * R     07005, the state stays        L  HY011, the state stays
 * I     HY007, the state stays        X  HY008, and the statement is in S1 then
 * N     08003                         U  08002
 */

static const char *state_of_cell(char cell) {
    switch (cell) {
    case 'S': return "HY010";
    case 'C': return "24000";
    case 'R': return "07005";
    case 'L': return "HY011";
    case 'I': return "HY007";
    case 'X': return "HY008";
    case 'N': return "08003";
    case 'U': return "08002";
    default: return "";
    }
}

/* An error that a state explains? Others (07009: there is no such parameter) are none of this test's. */
static bool about_states(const char *sqlstate) {
    static const char *const states[] = {"HY010", "24000", "07005", "HY011",
                                         "HY007", "HY008", "08003", "08002"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i], sqlstate) == 0) return true;
    return false;
}

/* ---------------------------------------------------------------- statements */

typedef struct Walk {
    Link link;
    SQLHDESC ard, apd, ird, ipd;
    bool prepared;
    int column; /* of the table */
} Walk;

typedef SQLRETURN (*StatementCall)(Walk *walk);

#define CALL(name, expression)              \
    static SQLRETURN call_##name(Walk *w) { \
        SQLHSTMT s = w->link.stmt;          \
        (void)s;                            \
        return expression;                  \
    }

static SQLCHAR buffer[200];
static SQLWCHAR wide_buffer[200];
static SQLLEN length;
static SQLINTEGER integer;
static SQLSMALLINT small;
static SQLULEN big;
static SQLPOINTER pointer;
static SQLLEN at_execution = SQL_DATA_AT_EXEC;
#define TEXT(literal) ((SQLCHAR *)(uintptr_t)literal), SQL_NTS
#define NAME          NULL, 0
#define TABLE         TEXT("t")

CALL(bind_col, odbc->SQLBindCol(s, 1, SQL_C_CHAR, buffer, sizeof buffer, &length))
CALL(bind_parameter, odbc->SQLBindParameter(s, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0,
                                            buffer, 8, &at_execution))
CALL(bulk_operations, odbc->SQLBulkOperations(s, SQL_ADD))
CALL(cancel, odbc->SQLCancel(s))
CALL(cancel_handle, odbc->SQLCancelHandle(SQL_HANDLE_STMT, s))
CALL(close_cursor, odbc->SQLCloseCursor(s))
CALL(col_attribute, odbc->SQLColAttribute(s, 1, SQL_DESC_LABEL, buffer, 100, &small, &length))
CALL(col_attribute_w,
     odbc->SQLColAttributeW(s, 1, SQL_DESC_LABEL, wide_buffer, 100, &small, &length))
CALL(col_count, odbc->SQLColAttribute(s, 0, SQL_DESC_COUNT, NULL, 0, NULL, &length))
CALL(column_privileges, odbc->SQLColumnPrivileges(s, NAME, NAME, TABLE, NAME))
CALL(columns, odbc->SQLColumns(s, NAME, NAME, NAME, NAME))
CALL(describe_col, odbc->SQLDescribeCol(s, 1, buffer, 100, &small, &small, &big, &small, &small))
CALL(describe_param, odbc->SQLDescribeParam(s, 1, &small, &big, &small, &small))
CALL(exec_direct, odbc->SQLExecDirect(s, TEXT("numbers 5")))
CALL(exec_direct_w, odbc->SQLExecDirectW(s, wide("numbers 5"), SQL_NTS))
CALL(execute, odbc->SQLExecute(s))
CALL(extended_fetch, odbc->SQLExtendedFetch(s, SQL_FETCH_NEXT, 0, &big, NULL))
CALL(fetch, odbc->SQLFetch(s))
CALL(fetch_scroll, odbc->SQLFetchScroll(s, SQL_FETCH_NEXT, 0))
CALL(foreign_keys, odbc->SQLForeignKeys(s, NAME, NAME, TABLE, NAME, NAME, NAME))
CALL(free_handle, odbc->SQLFreeHandle(SQL_HANDLE_STMT, s))
CALL(free_close, odbc->SQLFreeStmt(s, SQL_CLOSE))
CALL(free_unbind, odbc->SQLFreeStmt(s, SQL_UNBIND))
CALL(get_cursor_name, odbc->SQLGetCursorName(s, buffer, 100, &small))
CALL(get_data, odbc->SQLGetData(s, 1, SQL_C_CHAR, buffer, sizeof buffer, &length))
CALL(get_diag_field,
     odbc->SQLGetDiagField(SQL_HANDLE_STMT, s, 0, SQL_DIAG_NUMBER, &integer, 0, NULL))
CALL(get_diag_rec, odbc->SQLGetDiagRec(SQL_HANDLE_STMT, s, 1, buffer, &integer, NULL, 0, NULL))
CALL(get_attr, odbc->SQLGetStmtAttr(s, SQL_ATTR_CURSOR_TYPE, &big, 0, NULL))
CALL(get_row_number, odbc->SQLGetStmtAttr(s, SQL_ATTR_ROW_NUMBER, &big, 0, NULL))
CALL(get_type_info, odbc->SQLGetTypeInfo(s, SQL_ALL_TYPES))
CALL(more_results, odbc->SQLMoreResults(s))
CALL(num_params, odbc->SQLNumParams(s, &small))
CALL(num_result_cols, odbc->SQLNumResultCols(s, &small))
CALL(param_data, odbc->SQLParamData(s, &pointer))
CALL(prepare, odbc->SQLPrepare(s, TEXT("numbers 5")))
CALL(primary_keys, odbc->SQLPrimaryKeys(s, NAME, NAME, TABLE))
CALL(procedure_columns, odbc->SQLProcedureColumns(s, NAME, NAME, NAME, NAME))
CALL(procedures, odbc->SQLProcedures(s, NAME, NAME, NAME))
CALL(put_data, odbc->SQLPutData(s, (SQLPOINTER) "abc", 3))
CALL(row_count, odbc->SQLRowCount(s, &length))
CALL(set_cursor_name, odbc->SQLSetCursorName(s, TEXT("mine")))
CALL(set_pos, odbc->SQLSetPos(s, 1, SQL_POSITION, SQL_LOCK_NO_CHANGE))
CALL(set_max_rows, odbc->SQLSetStmtAttr(s, SQL_ATTR_MAX_ROWS, (SQLPOINTER)100, 0))
CALL(set_cursor_type,
     odbc->SQLSetStmtAttr(s, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_FORWARD_ONLY, 0))
CALL(set_concurrency,
     odbc->SQLSetStmtAttr(s, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_READ_ONLY, 0))
CALL(special_columns,
     odbc->SQLSpecialColumns(s, SQL_BEST_ROWID, NAME, NAME, TABLE, SQL_SCOPE_SESSION, SQL_NULLABLE))
CALL(statistics, odbc->SQLStatistics(s, NAME, NAME, TABLE, SQL_INDEX_ALL, SQL_QUICK))
CALL(table_privileges, odbc->SQLTablePrivileges(s, NAME, NAME, NAME))
CALL(tables, odbc->SQLTables(s, NAME, NAME, NAME, NAME))
CALL(get_ird_field, odbc->SQLGetDescField(w->ird, 1, SQL_DESC_NAME, buffer, 100, &integer))
CALL(get_ird_rec, odbc->SQLGetDescRec(w->ird, 1, buffer, 100, &small, &small, &small, &length,
                                      &small, &small, &small))
CALL(set_ard_field,
     odbc->SQLSetDescField(w->ard, 1, SQL_DESC_CONCISE_TYPE, (SQLPOINTER)SQL_C_CHAR, 0))
CALL(set_ard_rec, odbc->SQLSetDescRec(w->ard, 1, SQL_C_SLONG, 0, 4, 0, 0, &integer, NULL, NULL))
CALL(copy_desc, odbc->SQLCopyDesc(w->ard, w->apd))

typedef struct StatementRow {
    const char *function; /* as in api_functions.def */
    StatementCall call;
    bool on_descriptor; /* diagnostics are the descriptor's */
    const char *cells;
} StatementRow;

/* States in which the statement was prepared stand behind those in which it was not: 4p after 4. */
static const char *const columns[] = {"1",  "2", "3",  "4", "4p", "5",  "5p",  "6",  "6p", "7",
                                      "7p", "8", "8p", "9", "9p", "10", "10p", "11", "12"};
#define COLUMNS (sizeof columns / sizeof *columns)

#define CATALOG_CELLS \
    "55555"           \
    "CCCCCC"          \
    "SSSSSS"          \
    "SS"

static const StatementRow statement_rows[] = {
    {"SQLBindCol", call_bind_col, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLBindParameter", call_bind_parameter, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLBulkOperations", call_bulk_operations, false,
     "SSSCC"
     "====SS"
     "SSSSSS"
     "SS"},
    {"SQLCancel", call_cancel, false,
     "====="
     "======"
     "131313"
     "BB"},
    {"SQLCancelHandle", call_cancel_handle, false,
     "====="
     "======"
     "131313"
     "BB"},
    {"SQLCloseCursor", call_close_cursor, false,
     "CCCCC"
     "131313"
     "SSSSSS"
     "SS"},
    {"SQLColAttribute", call_col_attribute, false,
     "SR=CC"
     "======"
     "SSSSSS"
     "SS"},
    {"SQLColAttribute", call_col_attribute_w, false,
     "SR=CC"
     "======"
     "SSSSSS"
     "SS"},
    {"SQLColAttribute", call_col_count, false,
     "S==CC"
     "======"
     "SSSSSS"
     "SS"},
    {"SQLColumnPrivileges", call_column_privileges, false, CATALOG_CELLS},
    {"SQLColumns", call_columns, false, CATALOG_CELLS},
    {"SQLCopyDesc", call_copy_desc, true,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLDescribeCol", call_describe_col, false,
     "SR=CC"
     "======"
     "SSSSSS"
     "SS"},
    {"SQLDescribeParam", call_describe_param, false,
     "S===="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLExecDirect", call_exec_direct, false,
     "55555"
     "CCCCCC"
     "SSSSSS"
     "BX"},
    {"SQLExecDirect", call_exec_direct_w, false,
     "55555"
     "CCCCCC"
     "SSSSSS"
     "BX"},
    {"SQLExecute", call_execute, false,
     "S45S4"
     "SCSCSC"
     "SSSSSS"
     "SS"},
    {"SQLExtendedFetch", call_extended_fetch, false,
     "SSSCC"
     "77SS=="
     "SSSSSS"
     "SS"},
    {"SQLFetch", call_fetch, false,
     "SSSCC"
     "66==SS"
     "SSSSSS"
     "SS"},
    {"SQLFetchScroll", call_fetch_scroll, false,
     "SSSCC"
     "66==SS"
     "SSSSSS"
     "SS"},
    {"SQLForeignKeys", call_foreign_keys, false, CATALOG_CELLS},
    {"SQLFreeHandle", call_free_handle, false,
     "00000"
     "000000"
     "SSSSSS"
     "SS"},
    {"SQLFreeStmt", call_free_close, false,
     "===12"
     "131313"
     "SSSSSS"
     "SS"},
    {"SQLFreeStmt", call_free_unbind, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLGetCursorName", call_get_cursor_name, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLGetData", call_get_data, false,
     "SSSCC"
     "CC===="
     "SSSSSS"
     "SS"},
    {"SQLGetDescField", call_get_ird_field, true,
     "I===="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLGetDescRec", call_get_ird_rec, true,
     "I===="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLGetDiagField", call_get_diag_field, false,
     "====="
     "======"
     "======"
     "BB"},
    {"SQLGetDiagRec", call_get_diag_rec, false,
     "====="
     "======"
     "======"
     "BB"},
    {"SQLGetStmtAttr", call_get_attr, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLGetStmtAttr", call_get_row_number, false,
     "CCCCC"
     "CC===="
     "SSSSSS"
     "SS"},
    {"SQLGetTypeInfo", call_get_type_info, false, CATALOG_CELLS},
    {"SQLMoreResults", call_more_results, false,
     "===12"
     "131313"
     "SSSSSS"
     "SS"},
    {"SQLNumParams", call_num_params, false,
     "S===="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLNumResultCols", call_num_result_cols, false,
     "S===="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLParamData", call_param_data, false,
     "SSSSS"
     "SSSSSS"
     "99SS55"
     "SS"},
    {"SQLPrepare", call_prepare, false,
     "33333"
     "CCCCCC"
     "SSSSSS"
     "SS"},
    {"SQLPrimaryKeys", call_primary_keys, false, CATALOG_CELLS},
    {"SQLProcedureColumns", call_procedure_columns, false, CATALOG_CELLS},
    {"SQLProcedures", call_procedures, false, CATALOG_CELLS},
    {"SQLPutData", call_put_data, false,
     "SSSSS"
     "SSSSSS"
     "SSAA=="
     "SS"},
    {"SQLRowCount", call_row_count, false,
     "SSS=="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLSetCursorName", call_set_cursor_name, false,
     "===CC"
     "CCCCCC"
     "SSSSSS"
     "SS"},
    {"SQLSetDescField", call_set_ard_field, true,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLSetDescRec", call_set_ard_rec, true,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLSetPos", call_set_pos, false,
     "SSSCC"
     "CC===="
     "SSSSSS"
     "SS"},
    {"SQLSetStmtAttr", call_set_max_rows, false,
     "====="
     "======"
     "SSSSSS"
     "SS"},
    {"SQLSetStmtAttr", call_set_cursor_type, false,
     "=LLCC"
     "CCCCCC"
     "SLSLSL"
     "SS"},
    {"SQLSetStmtAttr", call_set_concurrency, false,
     "=LLCC"
     "CCCCCC"
     "SLSLSL"
     "SS"},
    {"SQLSpecialColumns", call_special_columns, false, CATALOG_CELLS},
    {"SQLStatistics", call_statistics, false, CATALOG_CELLS},
    {"SQLTablePrivileges", call_table_privileges, false, CATALOG_CELLS},
    {"SQLTables", call_tables, false, CATALOG_CELLS},
};

/* Where unixODBC 2.3 departs from the appendix: what it answers, and the state that it believes in then. */
typedef struct Difference {
    const char *function; /* "*": any */
    const char *columns;  /* between blanks */
    char got, after;
} Difference;

static const Difference of_the_manager[] = {
    /* It takes a cursor for closed after SQLCancel, as version 2 did. */
    {"SQLCancel", " 4 5 6 7 ", '1', '1'},
    {"SQLCancel", " 4p ", '2', '2'},
    {"SQLCancel", " 5p 6p 7p ", '3', '3'},
    {"SQLCancelHandle", " 4 5 6 7 ", '1', '1'},
    {"SQLCancelHandle", " 4p ", '2', '2'},
    {"SQLCancelHandle", " 5p 6p 7p ", '3', '3'},
    /* Before the first fetch it leaves the refusal to the driver, and takes it for a failed execution. */
    {"*", " 5 5p ", 'C', '1'},
    {"SQLExecute", " 4 ", 'S', '2'},
    {"SQLExecute", " 5 ", 'S', '3'},
    {"SQLExecute", " 5p ", 'C', '3'},
};

static void run_or_prepare(Walk *w, const char *sql, SQLRETURN expected) {
    SQLCHAR *text = (SQLCHAR *)(uintptr_t)sql;
    SQLRETURN result;
    if (w->prepared) {
        OK(odbc->SQLPrepare(w->link.stmt, text, SQL_NTS));
        result = odbc->SQLExecute(w->link.stmt);
    } else {
        result = odbc->SQLExecDirect(w->link.stmt, text, SQL_NTS);
    }
    if (result != expected)
        fail_msg("%s: %d %s", sql, result, diag_of(odbc, SQL_HANDLE_STMT, w->link.stmt));
}

static void enter_waiting(Walk *w, int state) {
    SQLHSTMT s = w->link.stmt;
    OK(call_bind_parameter(w));
    run_or_prepare(w, "echo ?", SQL_NEED_DATA);
    if (state >= 9) assert_int_equal(odbc->SQLParamData(s, &pointer), SQL_NEED_DATA);
    if (state >= 10) OK(odbc->SQLPutData(s, (SQLPOINTER) "abc", 3));
}

/* A new statement, brought into the state of a column. */
static void enter(Walk *w, int column) {
    int state = atoi(columns[column]);
    SQLHSTMT s;
    OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, w->link.dbc, &w->link.stmt));
    s = w->link.stmt;
    w->column = column;
    w->prepared = columns[column][strlen(columns[column]) - 1] == 'p';
    OK(odbc->SQLGetStmtAttr(s, SQL_ATTR_APP_ROW_DESC, &w->ard, 0, NULL));
    OK(odbc->SQLGetStmtAttr(s, SQL_ATTR_APP_PARAM_DESC, &w->apd, 0, NULL));
    OK(odbc->SQLGetStmtAttr(s, SQL_ATTR_IMP_ROW_DESC, &w->ird, 0, NULL));
    OK(odbc->SQLGetStmtAttr(s, SQL_ATTR_IMP_PARAM_DESC, &w->ipd, 0, NULL));
    if (state == 2) OK(odbc->SQLPrepare(s, TEXT("command")));
    if (state == 3) OK(odbc->SQLPrepare(s, TEXT("numbers 5")));
    if (state == 4) run_or_prepare(w, "write 3", SQL_SUCCESS);
    if (state >= 5 && state <= 7) run_or_prepare(w, "numbers 5", SQL_SUCCESS);
    if (state == 6) OK(odbc->SQLFetch(s));
    if (state == 7) OK(call_extended_fetch(w));
    if (state >= 8 && state <= 10) enter_waiting(w, state);
    if (state < 11) return;
    OK(odbc->SQLSetStmtAttr(s, SQL_ATTR_ASYNC_ENABLE, (SQLPOINTER)SQL_ASYNC_ENABLE_ON, 0));
    run_or_prepare(w, "slow", SQL_STILL_EXECUTING);
    if (state == 12) OK(odbc->SQLCancel(s));
}

static bool refused(Walk *w, StatementCall call, const char *sqlstate) {
    return call(w) == SQL_ERROR &&
           strcmp(diag_of(odbc, SQL_HANDLE_STMT, w->link.stmt), sqlstate) == 0;
}

/* The state that a statement is in, as a cell. The last question of a branch may change it. */
static char state_now(Walk *w) {
    if (refused(w, call_get_cursor_name, "HY010")) { /* S8 and up */
        SQLHSTMT s = w->link.stmt;
        if (atoi(columns[w->column]) >= 11) return 'B';
        SQLRETURN result = odbc->SQLParamData(s, &pointer);
        if (result == SQL_ERROR) return '9';
        return result == SQL_NEED_DATA ? '8' : 'A';
    }
    if (refused(w, call_num_result_cols, "HY010")) return '1';
    SQLSMALLINT results = small;
    if (refused(w, call_row_count, "HY010")) return results ? '3' : '2';
    if (results == 0) return '4';
    if (refused(w, call_get_data, "24000")) return '5';
    return refused(w, call_extended_fetch, "HY010") ? '6' : '7';
}

/* Ends what is under way, so that the statement can be freed. */
static void leave(Walk *w) {
    SQLHSTMT s = w->link.stmt;
    if (!s) return;
    OK(odbc->SQLCancel(s));
    if (atoi(columns[w->column]) >= 11) {
        int polls = 0;
        while (odbc->SQLExecDirect(s, TEXT("")) == SQL_STILL_EXECUTING)
            assert_true(polls++ < 100000);
    }
    OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, s));
    w->link.stmt = NULL;
}

static char before_of(const Walk *w) {
    static const char states[] = "?123456789ABB";
    return states[atoi(columns[w->column])];
}

/* What became of the statement, as a cell. */
static char walk_cell(Walk *w, const StatementRow *row, char *after) {
    SQLHANDLE handle = !row->on_descriptor ? w->link.stmt
                       : row->call == call_get_ird_field || row->call == call_get_ird_rec ? w->ird
                       : row->call == call_copy_desc                                      ? w->apd
                                                                                          : w->ard;
    SQLRETURN result = row->call(w);
    if (row->call == call_free_handle && result == SQL_SUCCESS) {
        w->link.stmt = NULL;
        return *after = '0';
    }
    char sqlstate[6] = "";
    if (result == SQL_ERROR)
        snprintf(sqlstate, sizeof sqlstate, "%s",
                 diag_of(odbc, row->on_descriptor ? SQL_HANDLE_DESC : SQL_HANDLE_STMT, handle));
    if (row->call == call_copy_desc && result == SQL_ERROR && !sqlstate[0])
        snprintf(sqlstate, sizeof sqlstate, "%s", diag_of(odbc, SQL_HANDLE_DESC, w->ard));
    *after = state_now(w);
    if (about_states(sqlstate)) {
        static const char refusals[] = "SCRLIXNU";
        for (const char *c = refusals; *c; c++)
            if (strcmp(state_of_cell(*c), sqlstate) == 0) return *c;
    }
    if (result == SQL_INVALID_HANDLE) return '?';
    return *after == before_of(w) ? '=' : *after;
}

/* A cell holds if the call did what it says and the state is what it says. */
static bool cell_holds(const Walk *w, char expected, char got, char after) {
    if (expected == 'X') return got == 'X' && after == '1';
    if (state_of_cell(expected)[0]) return got == expected && after == before_of(w);
    if (expected == '=' || expected == before_of(w)) return got == '=';
    return got == expected && after == expected;
}

static bool differs(const StatementRow *row, int column, char got, char after) {
    char name[8];
    snprintf(name, sizeof name, " %s ", columns[column]);
    for (size_t i = 0; i < sizeof of_the_manager / sizeof *of_the_manager; i++) {
        const Difference *d = &of_the_manager[i];
        bool same = strcmp(d->function, "*") == 0 || strcmp(d->function, row->function) == 0;
        if (same && strstr(d->columns, name) && d->got == got && d->after == after) return true;
    }
    return false;
}

static int walk_statements(Odbc *through) {
    Walk w;
    int wrong = 0;
    memset(&w, 0, sizeof w);
    odbc = through;
    link_open(&w.link, odbc, SQL_OV_ODBC3, "Driver=Fake", false);
    OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, w.link.stmt));
    for (size_t r = 0; r < sizeof statement_rows / sizeof *statement_rows; r++) {
        const StatementRow *row = &statement_rows[r];
        assert_int_equal(strlen(row->cells), COLUMNS);
        for (int column = 0; column < (int)COLUMNS; column++) {
            char after;
            enter(&w, column);
            char expected = row->cells[column], got = walk_cell(&w, row, &after);
            bool holds = cell_holds(&w, expected, got, after);
            if (!holds && odbc == &manager) holds = differs(row, column, got, after);
            if (!holds) {
                print_message("%s (row %zu) in S%s: expected %c, got %c, then S%c\n", row->function,
                              r, columns[column], expected, got, after);
                wrong++;
            }
            leave(&w);
        }
    }
    w.link.stmt = NULL;
    link_close(&w.link);
    return wrong;
}

static void statements(void **state) {
    assert_int_equal(walk_statements(&direct), 0);
    assert_int_equal(walk_statements(&manager), 0);
}

/* What executes after SQLCancel over an open cursor closes it: unixODBC takes it for closed. */
static void cancelled_cursor(void **state) {
    Odbc *both[] = {&direct, &manager};
    for (int i = 0; i < 2; i++) {
        Link link;
        odbc = both[i];
        link_open(&link, odbc, SQL_OV_ODBC3, "Driver=Fake", false);
        for (int fetched = 0; fetched < 2; fetched++) {
            run_ok(&link, "numbers 5");
            if (fetched) OK(odbc->SQLFetch(link.stmt));
            OK(odbc->SQLCancel(link.stmt));
            OK(odbc->SQLTables(link.stmt, NAME, NAME, NAME, NAME));
            OK(odbc->SQLCancel(link.stmt));
            OK(odbc->SQLPrepare(link.stmt, TEXT("numbers 2")));
            OK(odbc->SQLExecute(link.stmt));
            OK(odbc->SQLFetch(link.stmt));
            OK(odbc->SQLCancel(link.stmt));
            OK(odbc->SQLExecute(link.stmt));
            OK(odbc->SQLFreeStmt(link.stmt, SQL_CLOSE));
        }
        run_ok(&link, "numbers 5"); /* a cursor that is read on is in use again */
        OK(direct.SQLCancel == odbc->SQLCancel ? odbc->SQLCancel(link.stmt) : SQL_SUCCESS);
        OK(odbc->SQLFetch(link.stmt));
        FAILS(odbc->SQLExecDirect(link.stmt, TEXT("numbers 5")));
        STATE_IS(&link, "24000");
        OK(odbc->SQLFreeStmt(link.stmt, SQL_CLOSE));
        link_close(&link);
    }
}

/* ---------------------------------------------------------------- connections */

typedef struct ConnectionRow {
    const char *function;
    SQLRETURN (*call)(Link *link);
    SQLSMALLINT kind;  /* of the handle with the diagnostics */
    const char *cells; /* C2, C3 (browsing), C4 (connected), C5 (with a statement) */
} ConnectionRow;

#define LINK_CALL(name, expression)         \
    static SQLRETURN link_##name(Link *l) { \
        return expression;                  \
    }

static SQLHANDLE handle;
static SQLUSMALLINT functions[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE];

LINK_CALL(alloc_stmt, odbc->SQLAllocHandle(SQL_HANDLE_STMT, l->dbc, &handle))
LINK_CALL(alloc_old, odbc->SQLAllocStmt(l->dbc, &handle))
LINK_CALL(alloc_desc, odbc->SQLAllocHandle(SQL_HANDLE_DESC, l->dbc, &handle))
LINK_CALL(browse,
          odbc->SQLBrowseConnect(l->dbc, TEXT("Driver=Fake;UID=browser"), buffer, 200, &small))
LINK_CALL(browse_all,
          odbc->SQLBrowseConnect(l->dbc, TEXT("Driver=Fake;Catalog=shop"), buffer, 200, &small))
LINK_CALL(connect, odbc->SQLConnect(l->dbc, TEXT("Walk"), NAME, NAME))
LINK_CALL(driver_connect, odbc->SQLDriverConnect(l->dbc, NULL, TEXT("Driver=Fake"), NULL, 0, NULL,
                                                 SQL_DRIVER_NOPROMPT))
LINK_CALL(disconnect, odbc->SQLDisconnect(l->dbc))
LINK_CALL(end_tran, odbc->SQLEndTran(SQL_HANDLE_DBC, l->dbc, SQL_COMMIT))
LINK_CALL(free_dbc, odbc->SQLFreeHandle(SQL_HANDLE_DBC, l->dbc))
LINK_CALL(get_autocommit, odbc->SQLGetConnectAttr(l->dbc, SQL_ATTR_AUTOCOMMIT, &integer, 0, NULL))
LINK_CALL(get_dbc_diag,
          odbc->SQLGetDiagRec(SQL_HANDLE_DBC, l->dbc, 1, buffer, &integer, NULL, 0, NULL))
LINK_CALL(get_functions, odbc->SQLGetFunctions(l->dbc, SQL_API_ODBC3_ALL_FUNCTIONS, functions))
LINK_CALL(get_info, odbc->SQLGetInfo(l->dbc, SQL_DBMS_NAME, buffer, 200, &small))
LINK_CALL(native_sql, odbc->SQLNativeSql(l->dbc, TEXT("command"), buffer, 200, &integer))
LINK_CALL(set_autocommit,
          odbc->SQLSetConnectAttr(l->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_ON, 0))
LINK_CALL(set_packet, odbc->SQLSetConnectAttr(l->dbc, SQL_ATTR_PACKET_SIZE, (SQLPOINTER)512, 0))
LINK_CALL(set_cursors,
          odbc->SQLSetConnectAttr(l->dbc, SQL_ATTR_ODBC_CURSORS, (SQLPOINTER)SQL_CUR_USE_DRIVER, 0))

/* 2-4: the state afterwards (C5 is a C4 with a statement); the rest as above. */
static const ConnectionRow connection_rows[] = {
    {"SQLAllocHandle", link_alloc_stmt, SQL_HANDLE_DBC, "NN=="},
    {"SQLAllocHandle", link_alloc_desc, SQL_HANDLE_DBC, "NN=="},
    {"SQLAllocStmt", link_alloc_old, SQL_HANDLE_DBC, "NN=="},
    {"SQLBrowseConnect", link_browse, SQL_HANDLE_DBC, "34UU"},
    {"SQLBrowseConnect", link_browse_all, SQL_HANDLE_DBC, "44UU"},
    {"SQLConnect", link_connect, SQL_HANDLE_DBC, "4UUU"},
    {"SQLDriverConnect", link_driver_connect, SQL_HANDLE_DBC, "4UUU"},
    {"SQLDisconnect", link_disconnect, SQL_HANDLE_DBC, "N222"},
    {"SQLEndTran", link_end_tran, SQL_HANDLE_DBC, "NN=="},
    {"SQLFreeHandle", link_free_dbc, SQL_HANDLE_DBC, "0SSS"},
    {"SQLGetConnectAttr", link_get_autocommit, SQL_HANDLE_DBC, "=S=="},
    {"SQLGetDiagRec", link_get_dbc_diag, SQL_HANDLE_DBC, "===="},
    {"SQLGetFunctions", link_get_functions, SQL_HANDLE_DBC, "SS=="},
    {"SQLGetInfo", link_get_info, SQL_HANDLE_DBC, "NN=="},
    {"SQLNativeSql", link_native_sql, SQL_HANDLE_DBC, "NN=="},
    {"SQLSetConnectAttr", link_set_autocommit, SQL_HANDLE_DBC, "=S=="},
    {"SQLSetConnectAttr", link_set_packet, SQL_HANDLE_DBC, "=SLL"},
    {"SQLSetConnectAttr", link_set_cursors, SQL_HANDLE_DBC, "=SUU"},
};

static void connection_enter(Link *l, int state) {
    memset(l, 0, sizeof *l);
    l->odbc = odbc;
    OK(odbc->SQLAllocHandle(SQL_HANDLE_ENV, NULL, &l->env));
    OK(odbc->SQLSetEnvAttr(l->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    OK(odbc->SQLAllocHandle(SQL_HANDLE_DBC, l->env, &l->dbc));
    if (state == 3) assert_int_equal(link_browse(l), SQL_NEED_DATA);
    if (state >= 4) OK(link_driver_connect(l));
    if (state == 5) OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, l->dbc, &l->stmt));
}

/* SQLBrowseConnect tells C3 from C2: only there the catalog alone is an answer. */
static char connection_state(Link *l) {
    if (link_get_info(l) == SQL_SUCCESS) return '4';
    return odbc->SQLDisconnect(l->dbc) == SQL_SUCCESS ? '3' : '2';
}

static void connection_leave(Link *l) {
    if (l->dbc) {
        (void)odbc->SQLDisconnect(l->dbc);
        OK(odbc->SQLFreeHandle(SQL_HANDLE_DBC, l->dbc));
    }
    OK(odbc->SQLFreeHandle(SQL_HANDLE_ENV, l->env));
}

static char connection_cell(Link *l, const ConnectionRow *row, int state) {
    SQLRETURN result = row->call(l);
    char sqlstate[6] = "", before = state == 5 ? '4' : (char)('0' + state);
    if (row->call == link_free_dbc && result == SQL_SUCCESS) {
        l->dbc = NULL;
        return '0';
    }
    if (result == SQL_ERROR)
        snprintf(sqlstate, sizeof sqlstate, "%s", diag_of(odbc, row->kind, l->dbc));
    char after = connection_state(l);
    if (about_states(sqlstate) && after == before) {
        static const char refusals[] = "SCRLIXNU";
        for (const char *c = refusals; *c; c++)
            if (strcmp(state_of_cell(*c), sqlstate) == 0) return *c;
    }
    if (result == SQL_ERROR || result == SQL_INVALID_HANDLE) return '?';
    return after == before ? '=' : after;
}

static int walk_connections(Odbc *through) {
    int wrong = 0;
    odbc = through;
    for (size_t r = 0; r < sizeof connection_rows / sizeof *connection_rows; r++) {
        const ConnectionRow *row = &connection_rows[r];
        for (int state = 2; state <= 5; state++) {
            Link link;
            connection_enter(&link, state);
            char expected = row->cells[state - 2], got = connection_cell(&link, row, state);
            if (got != expected) {
                print_message("%s (row %zu) in C%d: expected %c, got %c\n", row->function, r, state,
                              expected, got);
                wrong++;
            }
            connection_leave(&link);
        }
    }
    return wrong;
}

static void connections(void **state) {
    assert_int_equal(walk_connections(&direct), 0);
    assert_int_equal(walk_connections(&manager), 0);
}

/* ---------------------------------------------------------------- environments, descriptors */

LINK_CALL(alloc_dbc, odbc->SQLAllocHandle(SQL_HANDLE_DBC, l->env, &handle))
LINK_CALL(get_version, odbc->SQLGetEnvAttr(l->env, SQL_ATTR_ODBC_VERSION, &integer, 0, NULL))
LINK_CALL(set_version,
          odbc->SQLSetEnvAttr(l->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0))
LINK_CALL(set_nts, odbc->SQLSetEnvAttr(l->env, SQL_ATTR_OUTPUT_NTS, (SQLPOINTER)SQL_TRUE, 0))
LINK_CALL(end_all, odbc->SQLEndTran(SQL_HANDLE_ENV, l->env, SQL_COMMIT))
LINK_CALL(free_env, odbc->SQLFreeHandle(SQL_HANDLE_ENV, l->env))
LINK_CALL(get_env_diag,
          odbc->SQLGetDiagField(SQL_HANDLE_ENV, l->env, 0, SQL_DIAG_NUMBER, &integer, 0, NULL))

/* E1 without a version, E1, E2 (with a connection). */
static const struct {
    SQLRETURN (*call)(Link *link);
    const char *cells;
} environment_rows[] = {
    {link_alloc_dbc, "S=="}, {link_get_version, "S=="}, {link_set_version, "==S"},
    {link_set_nts, "S=="},   {link_end_all, "==="},     {link_get_env_diag, "==="},
    {link_free_env, "00S"},
};

static void environments(void **unused) {
    odbc = &direct;
    for (size_t r = 0; r < sizeof environment_rows / sizeof *environment_rows; r++) {
        for (int column = 0; column < 3; column++) {
            Link l = {.odbc = odbc};
            handle = NULL;
            OK(odbc->SQLAllocHandle(SQL_HANDLE_ENV, NULL, &l.env));
            if (column > 0) OK(link_set_version(&l));
            if (column > 1) OK(odbc->SQLAllocHandle(SQL_HANDLE_DBC, l.env, &l.dbc));
            char expected = environment_rows[r].cells[column];
            SQLRETURN result = environment_rows[r].call(&l);
            if (expected == 'S') {
                FAILS(result);
                assert_string_equal(diag_of(odbc, SQL_HANDLE_ENV, l.env), "HY010");
            } else {
                OK(result);
            }
            if (handle) OK(odbc->SQLFreeHandle(SQL_HANDLE_DBC, handle));
            if (l.dbc) OK(odbc->SQLFreeHandle(SQL_HANDLE_DBC, l.dbc));
            if (expected == '0')
                assert_int_equal(link_get_version(&l), SQL_INVALID_HANDLE);
            else
                OK(link_free_env(&l));
        }
    }
}

/* An explicit descriptor may serve several statements; while one of them waits for data, it stays usable, and
 * a statement whose descriptor was freed goes back to its own. Implicit ones are not freed. */
static void descriptors(void **unused) {
    Odbc *both[] = {&direct, &manager};
    for (int i = 0; i < 2; i++) {
        Link link;
        SQLHSTMT other;
        SQLHDESC shared, own, now;
        odbc = both[i];
        link_open(&link, odbc, SQL_OV_ODBC3, "Driver=Fake", false);
        OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &other));
        OK(odbc->SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_PARAM_DESC, &own, 0, NULL));
        FAILS(odbc->SQLFreeHandle(SQL_HANDLE_DESC, own));
        assert_string_equal(diag_of(odbc, SQL_HANDLE_DESC, own), "HY017");
        OK(odbc->SQLAllocHandle(SQL_HANDLE_DESC, link.dbc, &shared));
        OK(odbc->SQLSetStmtAttr(link.stmt, SQL_ATTR_APP_PARAM_DESC, shared, 0));
        OK(odbc->SQLSetStmtAttr(other, SQL_ATTR_APP_PARAM_DESC, shared, 0));
        OK(odbc->SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0,
                                  buffer, 8, &at_execution));
        assert_int_equal(run(&link, "echo ?"), SQL_NEED_DATA);
        SQLRETURN result = odbc->SQLGetDescField(shared, 0, SQL_DESC_COUNT, &small, 0, NULL);
        if (odbc == &direct) { /* the manager knows which statements use it, and refuses */
            OK(result);
            assert_int_equal(small, 1);
        } else {
            FAILS(result);
            assert_string_equal(diag_of(odbc, SQL_HANDLE_DESC, shared), "HY010");
        }
        OK(odbc->SQLCancel(link.stmt));
        OK(odbc->SQLFreeHandle(SQL_HANDLE_DESC, shared));
        assert_int_equal(odbc->SQLGetDescField(shared, 0, SQL_DESC_COUNT, &small, 0, NULL),
                         SQL_INVALID_HANDLE);
        OK(odbc->SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_PARAM_DESC, &now, 0, NULL));
        assert_ptr_equal(now, own);
        OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, other));
        link_close(&link);
    }
}

/* No function of the table of exports is left out of the tables here. */
static void complete(void **state) {
    static const char *const names[] = {
#define API(name, id, kind, lock, diagnostics, twins, states) #name,
#include "driver/api_functions.def"
#undef API
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = names[i];
        static const char *const elsewhere[] = {"SQLGetEnvAttr", "SQLSetEnvAttr"};
        bool found = strcmp(name, elsewhere[0]) == 0 || strcmp(name, elsewhere[1]) == 0;
        for (size_t r = 0; !found && r < sizeof connection_rows / sizeof *connection_rows; r++)
            found = strcmp(connection_rows[r].function, name) == 0;
        for (size_t r = 0; !found && r < sizeof statement_rows / sizeof *statement_rows; r++)
            found = strcmp(statement_rows[r].function, name) == 0;
        if (!found) fail_msg("%s has no row", name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete),         cmocka_unit_test(statements),
        cmocka_unit_test(cancelled_cursor), cmocka_unit_test(connections),
        cmocka_unit_test(environments),     cmocka_unit_test(descriptors),
    };
    return cmocka_run_group_tests_name("state transitions", tests, load, unload);
}
