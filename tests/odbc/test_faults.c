/*
 * test_faults.c - every allocation of some scenarios fails once; needs --enable-faults.
 *
 * The driver and its engine are linked into the program, so that the nth allocation can be made to
 * fail from here. Each run must end in HY001 (or succeed, where the allocation could be done without),
 * leave handles that can be freed, and the scenario must succeed once no allocation fails.
 */
#include "config.h"

#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "engine/base/arena.h"

#ifdef TRIB_FAULTS
static const bool faults_built = true;
#else
static const bool faults_built = false;
#endif

static char connection[200];

typedef struct Run {
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
    bool failed; /* a call said SQL_ERROR */
} Run;

/* Notes a failure; it must be one of memory. */
static bool step(Run *run, SQLRETURN result, SQLSMALLINT kind, SQLHANDLE handle) {
    char state[6] = "", message[600] = "";
    if (SQL_SUCCEEDED(result) || result == SQL_NO_DATA) return result != SQL_NO_DATA;
    run->failed = true;
    if (kind == 0) return false; /* no handle yet */
    (void)SQLGetDiagRec(kind, handle, 1, (SQLCHAR *)state, NULL, (SQLCHAR *)message, sizeof message,
                        NULL);
    if (strcmp(state, "HY001") != 0) fail_msg("%d %s %s", result, state, message);
    return false;
}

#define STMT(call) step(run, call, SQL_HANDLE_STMT, run->stmt)

static bool connect_run(Run *run) {
    if (!step(run, SQLAllocHandle(SQL_HANDLE_ENV, NULL, &run->env), 0, NULL)) return false;
    if (!step(run, SQLSetEnvAttr(run->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0),
              SQL_HANDLE_ENV, run->env))
        return false;
    if (!step(run, SQLAllocHandle(SQL_HANDLE_DBC, run->env, &run->dbc), SQL_HANDLE_ENV, run->env))
        return false;
    if (!step(run,
              SQLDriverConnect(run->dbc, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL,
                               SQL_DRIVER_NOPROMPT),
              SQL_HANDLE_DBC, run->dbc))
        return false;
    return step(run, SQLAllocHandle(SQL_HANDLE_STMT, run->dbc, &run->stmt), SQL_HANDLE_DBC,
                run->dbc);
}

static void disconnect_run(Run *run) {
    if (run->stmt) OK(SQLFreeHandle(SQL_HANDLE_STMT, run->stmt));
    if (run->dbc) {
        SQLRETURN result = SQLDisconnect(run->dbc); /* an error where it never connected */
        assert_true(SQL_SUCCEEDED(result) || run->failed);
        OK(SQLFreeHandle(SQL_HANDLE_DBC, run->dbc));
    }
    if (run->env) OK(SQLFreeHandle(SQL_HANDLE_ENV, run->env));
}

static void fetch_all(Run *run) {
    char text[64];
    SQLLEN n;
    SQLSMALLINT columns = 0;
    if (!STMT(SQLNumResultCols(run->stmt, &columns))) return;
    while (STMT(SQLFetch(run->stmt)))
        for (SQLUSMALLINT c = 1; c <= columns; c++)
            if (!STMT(SQLGetData(run->stmt, c, SQL_C_CHAR, text, sizeof text, &n))) return;
}

static void rows(Run *run) {
    if (STMT(SQLExecDirect(run->stmt,
                           (SQLCHAR *)"SELECT x, y || 'more text than fits in place' FROM (VALUES "
                                      "(1, 'a'), (2, 'b')) t(x, y) ORDER BY y",
                           SQL_NTS)))
        fetch_all(run);
}

static void joins(Run *run) {
    static const char sql[] = "WITH a(k, v) AS (VALUES (1, 'one'), (2, 'two'), (3, NULL)), b(k, w) "
                              "AS (VALUES (1, 10), (1, 20), (4, 40)) "
                              "SELECT coalesce(a.v, 'none') AS v, count(*), sum(b.w), "
                              "count(DISTINCT b.w) FROM a LEFT JOIN b ON a.k = b.k "
                              "WHERE a.k IN (SELECT k FROM a) GROUP BY 1 HAVING count(*) > 0 UNION "
                              "ALL SELECT 'x', 1, 2, 3 ORDER BY 1 LIMIT 3";
    if (STMT(SQLExecDirect(run->stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS))) fetch_all(run);
}

static void block(Run *run) {
    static SQLINTEGER numbers[16];
    static SQLWCHAR texts[16][32];
    static SQLLEN lengths[16];
    SQLWCHAR sql[200];
    const char *text = "SELECT a, b FROM (VALUES (1, 'one'), (2, NULL), (3, 'three')) t(a, b)";
    size_t i = 0;
    for (; text[i]; i++) sql[i] = (SQLWCHAR)text[i];
    sql[i] = 0;
    if (!STMT(SQLSetStmtAttr(run->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)16, 0))) return;
    if (!STMT(SQLBindCol(run->stmt, 1, SQL_C_SLONG, numbers, 0, NULL))) return;
    if (!STMT(SQLBindCol(run->stmt, 2, SQL_C_WCHAR, texts, sizeof texts[0], lengths))) return;
    if (STMT(SQLExecDirectW(run->stmt, sql, SQL_NTS)))
        while (STMT(SQLFetch(run->stmt))) {
        }
}

static void parameters(Run *run) {
    SQLINTEGER number = 7;
    SQLLEN at_execution = SQL_DATA_AT_EXEC;
    SQLPOINTER token;
    if (!STMT(SQLBindParameter(run->stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0,
                               &number, 0, NULL)))
        return;
    if (!STMT(SQLBindParameter(run->stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 100, 0,
                               &number, 0, &at_execution)))
        return;
    SQLRETURN result = SQLExecDirect(run->stmt, (SQLCHAR *)"SELECT ? + 1, ?", SQL_NTS);
    if (result != SQL_NEED_DATA) {
        (void)STMT(result);
        return;
    }
    result = SQLParamData(run->stmt, &token);
    if (result == SQL_NEED_DATA && STMT(SQLPutData(run->stmt, "given later, in pieces", SQL_NTS)) &&
        STMT(SQLParamData(run->stmt, &token)))
        fetch_all(run);
    else if (result != SQL_NEED_DATA)
        (void)STMT(result);
    (void)SQLCancel(run->stmt);
}

/* Rows that are changed through the cursor. */
static void changes(Run *run) {
    SQLINTEGER id = 1;
    char name[41] = "";
    SQLLEN id_length = 0, length = 0;
    if (!STMT(SQLSetStmtAttr(run->stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0)) ||
        !STMT(SQLSetStmtAttr(run->stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_VALUES, 0)) ||
        !STMT(SQLBindCol(run->stmt, 1, SQL_C_SLONG, &id, 0, &id_length)) ||
        !STMT(SQLBindCol(run->stmt, 2, SQL_C_CHAR, name, sizeof name, &length)) ||
        !STMT(SQLExecDirect(run->stmt,
                            (SQLCHAR *)"SELECT id, name, upper(name) AS shout FROM "
                                       "memory.default.kept ORDER BY id",
                            SQL_NTS)) ||
        !STMT(SQLFetch(run->stmt)))
        return;
    snprintf(name, sizeof name, "longer than what fits in place: %d", name[32] == '7' ? 8 : 7);
    length = SQL_NTS;
    if (!STMT(SQLSetPos(run->stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE))) return;
    id = 2;
    if (!STMT(SQLBulkOperations(run->stmt, SQL_ADD))) return;
    id = 1;
    (void)STMT(SQLFetchScroll(run->stmt, SQL_FETCH_FIRST, 0));
}

/* The table, before any allocation fails; the row that was added goes again. */
static void changes_prepare(Run *run) {
    static const char *const statements[] = {
        "CREATE TABLE IF NOT EXISTS memory.default.kept (id integer PRIMARY KEY, name varchar(40))",
        "DELETE FROM memory.default.kept", "INSERT INTO memory.default.kept VALUES (1, 'one')"};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        SQLRETURN result = SQLExecDirect(run->stmt, (SQLCHAR *)(uintptr_t)statements[i], SQL_NTS);
        assert_true(result == SQL_SUCCESS || result == SQL_NO_DATA);
    }
    OK(SQLFreeStmt(run->stmt, SQL_CLOSE));
}

static void catalogs(Run *run) {
    if (STMT(SQLColumns(run->stmt, (SQLCHAR *)"memory", SQL_NTS, NULL, 0, NULL, 0, NULL, 0)))
        fetch_all(run);
    if (run->failed) return;
    (void)SQLCloseCursor(run->stmt);
    if (STMT(SQLGetTypeInfo(run->stmt, SQL_ALL_TYPES))) fetch_all(run);
}

static void scenario_of(void (*prepare)(Run *run), void (*work)(Run *run)) {
    if (!faults_built) skip();
    for (uint64_t n = 0;; n++) {
        Run run = {0};
        if (prepare) {
            Run first = {0};
            assert_true(connect_run(&first));
            prepare(&first);
            disconnect_run(&first);
        }
        heap_fail_at(n);
        if (connect_run(&run)) work(&run);
        bool reached = n == 0 || !heap_fault_pending();
        heap_fail_at(0);
        disconnect_run(&run);
        if (n == 0) assert_false(run.failed);
        if (!reached) {
            printf("%llu allocations\n", (unsigned long long)n - 1);
            return;
        }
    }
}

static void scenario(void (*work)(Run *run)) {
    scenario_of(NULL, work);
}

static void with_rows(void **state) {
    scenario(rows);
}
static void with_joins(void **state) {
    scenario(joins);
}
static void with_block(void **state) {
    scenario(block);
}
static void with_parameters(void **state) {
    scenario(parameters);
}
static void with_changes(void **state) {
    scenario_of(changes_prepare, changes);
}
static void with_catalogs(void **state) {
    scenario(catalogs);
}

int main(void) {
    char config[] = "/tmp/tributary_faults_XXXXXX";
    static const char text[] = "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" } } }";
    int file = mkstemp(config);
    if (file < 0 || write(file, text, sizeof text - 1) < 0) return 99;
    close(file);
    snprintf(connection, sizeof connection, "Config=%s;ConnectorPath=%s;Metastore=:memory:", config,
             CONNECTOR_PATH);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_rows),     cmocka_unit_test(with_joins),
        cmocka_unit_test(with_block),    cmocka_unit_test(with_parameters),
        cmocka_unit_test(with_catalogs), cmocka_unit_test(with_changes),
    };
    int failures = cmocka_run_group_tests_name("driver without memory", tests, NULL, NULL);
    unlink(config);
    return failures;
}
