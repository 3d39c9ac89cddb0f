/*
 * replay.c - calls that applications make which cannot run here, in their order and with their
 * arguments, over the real driver behind the driver manager; and a program of the manager's cursor
 * library.
 *
 * usage: replay DSN [NAME]   ODBCSYSINI and ODBCINI point to a private set-up. The last line is
 * N passed, N failed: a check that fails ends the program.
 */
#include "tests/clients/replay.h"

static const struct {
    const char *name;
    void (*run)(const char *dsn);
} replays[] = {
    {"power_query", replay_power_query},
    {"ado", replay_ado},
    {"edit", replay_edit},
    {"tableau", replay_tableau},
    {"cursor_library", replay_cursor_library},
};

void replay_fail(const char *file, int line, const char *what, SQLHSTMT stmt) {
    SQLCHAR state[6] = "", text[512] = "";
    SQLINTEGER native;
    SQLSMALLINT len;
    if (stmt) SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, text, sizeof text, &len);
    fprintf(stderr, "%s:%d: %s: [%s] %s\n", file, line, what, state, text);
    printf("0 passed, 1 failed\n");
    exit(1);
}

static void connect_fail(SQLHDBC dbc, const char *string) {
    SQLCHAR state[6] = "", text[512] = "";
    SQLINTEGER native;
    SQLSMALLINT len;
    SQLGetDiagRec(SQL_HANDLE_DBC, dbc, 1, state, &native, text, sizeof text, &len);
    fprintf(stderr, "%s: [%s] %s\n", string, state, text);
    exit(1);
}

void session_open(Session *self, SQLULEN version, SQLULEN cursors, const char *string) {
    SQLWCHAR completed[1024];
    SQLSMALLINT len;
    OK(NULL, SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &self->env));
    OK(NULL, SQLSetEnvAttr(self->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)version, 0));
    OK(NULL, SQLAllocHandle(SQL_HANDLE_DBC, self->env, &self->dbc));
    if (cursors != SQL_CUR_USE_DRIVER)
        OK(NULL, SQLSetConnectAttr(self->dbc, SQL_ATTR_ODBC_CURSORS, (SQLPOINTER)cursors, 0));
    SQLRETURN rc = cursors == SQL_CUR_USE_DRIVER
                       ? SQLDriverConnectW(self->dbc, NULL, wide(string), SQL_NTS, completed, 1024,
                                           &len, SQL_DRIVER_NOPROMPT)
                       : SQLDriverConnect(self->dbc, NULL, (SQLCHAR *)string, SQL_NTS, NULL, 0,
                                          &len, SQL_DRIVER_NOPROMPT);
    if (!SQL_SUCCEEDED(rc)) connect_fail(self->dbc, string);
    OK(NULL, SQLAllocHandle(SQL_HANDLE_STMT, self->dbc, &self->stmt));
}

void session_close(Session *self) {
    OK(self->stmt, SQLFreeHandle(SQL_HANDLE_STMT, self->stmt));
    OK(NULL, SQLDisconnect(self->dbc));
    OK(NULL, SQLFreeHandle(SQL_HANDLE_DBC, self->dbc));
    OK(NULL, SQLFreeHandle(SQL_HANDLE_ENV, self->env));
}

bool state_is(SQLSMALLINT kind, SQLHANDLE handle, const char *state) {
    SQLCHAR got[6] = "", text[16];
    SQLINTEGER native;
    SQLSMALLINT len;
    SQLGetDiagRec(kind, handle, 1, got, &native, text, sizeof text, &len);
    if (strcmp((char *)got, state) == 0) return true;
    fprintf(stderr, "SQLSTATE %s instead of %s\n", got, state);
    return false;
}

SQLWCHAR *wide(const char *text) {
    static SQLWCHAR buffers[8][2048];
    static unsigned turn;
    SQLWCHAR *out = buffers[turn++ % 8];
    size_t n = 0;
    for (; text[n] && n < 2047; n++) out[n] = (unsigned char)text[n];
    out[n] = 0;
    return out;
}

bool wide_is(const SQLWCHAR *text, const char *ascii) {
    size_t n = 0;
    while (ascii[n] && text[n] == (unsigned char)ascii[n]) n++;
    return ascii[n] == 0 && text[n] == 0;
}

const char *cell(SQLHSTMT stmt, SQLUSMALLINT column) {
    static char buffers[8][1024];
    static unsigned turn;
    char *out = buffers[turn++ % 8];
    SQLLEN length;
    SQLRETURN rc = SQLGetData(stmt, column, SQL_C_CHAR, out, sizeof buffers[0], &length);
    CHECK(stmt, SQL_SUCCEEDED(rc));
    return length == SQL_NULL_DATA ? "(null)" : out;
}

SQLLEN drain(SQLHSTMT stmt) {
    SQLLEN rows = 0;
    SQLRETURN rc;
    while ((rc = SQLFetch(stmt)) == SQL_SUCCESS) rows++;
    CHECK(stmt, rc == SQL_NO_DATA);
    OK(stmt, SQLCloseCursor(stmt));
    return rows;
}

int main(int argc, char **argv) {
    unsigned passed = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: replay DSN [NAME]\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof replays / sizeof *replays; i++) {
        if (argc > 2 && strcmp(argv[2], replays[i].name) != 0) continue;
        replays[i].run(argv[1]);
        printf("pass  %s\n", replays[i].name);
        passed++;
    }
    printf("%u passed, 0 failed\n", passed);
    return passed == 0;
}
