/*
 * odbc_test.c - what the ODBC tests share.
 */
#include <stdbool.h>

#include "tests/odbc/odbc_test.h"

#include <dlfcn.h>

static void member(void *library, const char *name, void *place) {
    void *symbol = dlsym(library, name);
    if (!symbol) fail_msg("%s is not exported", name);
    memcpy(place, &symbol, sizeof symbol);
}

#define LOAD_PLAIN(name) member(self->library, #name, &self->name);
#define LOAD_TEXT(name)  LOAD_PLAIN(name) member(self->library, #name "W", &self->name##W);

void odbc_load(Odbc *self, const char *path) {
    self->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!self->library) fail_msg("%s: %s", path, dlerror());
#define API(name, id, kind, lock, diagnostics, twins, states) LOAD_##twins(name)
#include "driver/api_functions.def"
#undef API
}

SQLWCHAR *wide(const char *text) {
    static SQLWCHAR buffers[8][512];
    static int turn;
    SQLWCHAR *out = buffers[turn++ % 8];
    size_t i = 0;
    for (; text[i] && i < 511; i++) out[i] = (SQLWCHAR)(unsigned char)text[i];
    out[i] = 0;
    return out;
}

static char last_message[4096];

const char *diag_of(Odbc *odbc, SQLSMALLINT kind, SQLHANDLE handle) {
    static char state[6];
    SQLINTEGER native;
    SQLSMALLINT length;
    state[0] = last_message[0] = 0;
    SQLRETURN result = odbc->SQLGetDiagRec(kind, handle, 1, (SQLCHAR *)state, &native,
                                           (SQLCHAR *)last_message, sizeof last_message, &length);
    if (!SQL_SUCCEEDED(result)) state[0] = 0;
    return state;
}

const char *diag_message(void) {
    return last_message;
}

void link_open(Link *self, Odbc *odbc, SQLULEN version, const char *string, bool as_wide) {
    memset(self, 0, sizeof *self);
    self->odbc = odbc;
    OK(odbc->SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &self->env));
    OK(odbc->SQLSetEnvAttr(self->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)version, 0));
    OK(odbc->SQLAllocHandle(SQL_HANDLE_DBC, self->env, &self->dbc));
    SQLRETURN result = as_wide
                           ? odbc->SQLDriverConnectW(self->dbc, NULL, wide(string), SQL_NTS, NULL,
                                                     0, NULL, SQL_DRIVER_NOPROMPT)
                           : odbc->SQLDriverConnect(self->dbc, NULL, (SQLCHAR *)(uintptr_t)string,
                                                    SQL_NTS, NULL, 0, NULL, SQL_DRIVER_NOPROMPT);
    if (result != SQL_SUCCESS)
        fail_msg("connect: %d %s %s", result, diag_of(odbc, SQL_HANDLE_DBC, self->dbc),
                 last_message);
    OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, self->dbc, &self->stmt));
}

void link_close(Link *self) {
    if (self->stmt) OK(self->odbc->SQLFreeHandle(SQL_HANDLE_STMT, self->stmt));
    OK(self->odbc->SQLDisconnect(self->dbc));
    OK(self->odbc->SQLFreeHandle(SQL_HANDLE_DBC, self->dbc));
    OK(self->odbc->SQLFreeHandle(SQL_HANDLE_ENV, self->env));
}

SQLRETURN run(Link *link, const char *sql) {
    return link->odbc->SQLExecDirect(link->stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS);
}

void run_ok(Link *link, const char *sql) {
    SQLRETURN result = run(link, sql);
    if (result != SQL_SUCCESS)
        fail_msg("%s: %d %s %s", sql, result, diag_of(link->odbc, SQL_HANDLE_STMT, link->stmt),
                 last_message);
}

void close_cursor(Link *link) {
    OK(link->odbc->SQLFreeStmt(link->stmt, SQL_CLOSE));
}

const char *text_of(Link *link, SQLUSMALLINT column) {
    static char buffers[8][8192];
    static int turn;
    char *out = buffers[turn++ % 8];
    SQLLEN length;
    SQLRETURN result =
        link->odbc->SQLGetData(link->stmt, column, SQL_C_CHAR, out, sizeof buffers[0], &length);
    if (!SQL_SUCCEEDED(result))
        fail_msg("SQLGetData(%d): %d %s %s", column, result,
                 diag_of(link->odbc, SQL_HANDLE_STMT, link->stmt), last_message);
    return length == SQL_NULL_DATA ? "(null)" : out;
}
