/*
 * odbc_test.c - what the ODBC tests share.
 */
#include <stdbool.h>

#include "tests/odbc/odbc_test.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void file_new(char *path, const char *text) {
    size_t length = strlen(text);
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, length), length);
    assert_int_equal(close(file), 0);
}

void file_write(const char *folder, const char *name, const char *text) {
    char path[300];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_in_range(length, 1, sizeof path - 1);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

void connection_string(char *out, size_t size, const char *config, const char *connectors,
                       const char *catalog) {
    int length = snprintf(out, size, "Config=%s;ConnectorPath=%s;Metastore=:memory:;Catalog=%s",
                          config, connectors, catalog);
    assert_in_range(length, 1, size - 1);
}

size_t utf16_encode(const char *text, SQLWCHAR *out) {
    const unsigned char *p = (const unsigned char *)text;
    size_t n = 0;
    while (*p) {
        uint32_t c = *p++;
        int more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0 ? 1 : 0;
        if (more) c &= 0x3Fu >> more;
        while (more-- > 0) c = c << 6 | (*p++ & 0x3F);
        if (c >= 0x10000) {
            out[n++] = (SQLWCHAR)(0xD7C0 + (c >> 10));
            c = 0xDC00 + (c & 0x3FF);
        }
        out[n++] = (SQLWCHAR)c;
    }
    return n;
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

void set_attribute(Link *link, SQLINTEGER id, SQLULEN value) {
    SQLRETURN result = link->odbc->SQLSetStmtAttr(link->stmt, id, (SQLPOINTER)value, 0);
    if (result != SQL_SUCCESS)
        fail_msg("attribute %d: %d %s %s", (int)id, result,
                 diag_of(link->odbc, SQL_HANDLE_STMT, link->stmt), diag_message());
}

void beside(Link *link, const char *sql) {
    SQLHSTMT cursor = link->stmt;
    OK(link->odbc->SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
    run_ok(link, sql);
    OK(link->odbc->SQLFreeHandle(SQL_HANDLE_STMT, link->stmt));
    link->stmt = cursor;
}

void value_is(Link *link, const char *sql, const char *expected) {
    SQLHSTMT cursor = link->stmt;
    OK(link->odbc->SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
    run_ok(link, sql);
    OK(link->odbc->SQLFetch(link->stmt));
    const char *found = text_of(link, 1);
    if (strcmp(found, expected) != 0) fail_msg("%s: %s instead of %s", sql, found, expected);
    OK(link->odbc->SQLFreeHandle(SQL_HANDLE_STMT, link->stmt));
    link->stmt = cursor;
}

/* Five times asleep, one after the other: a lock that was waited for is no call. */
static void asleep_await(long thread) {
    char path[60], line[400];
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", thread);
    for (int times = 0; times < 5;) {
        FILE *file = fopen(path, "r");
        const char *name_ends = file && fgets(line, sizeof line, file) ? strrchr(line, ')') : NULL;
        if (file) fclose(file);
        if (!name_ends) return; /* then the state */
        times = name_ends[2] == 'S' ? times + 1 : 0;
        usleep(4000);
    }
}

static void *canceller_work(void *context) {
    Canceller *self = context;
    asleep_await(self->caller);
    self->result = self->odbc->SQLCancel(self->stmt);
    return NULL;
}

void canceller_begin(Canceller *self, Odbc *odbc, SQLHSTMT stmt) {
    *self = (Canceller){.odbc = odbc, .stmt = stmt, .caller = syscall(SYS_gettid)};
    assert_int_equal(pthread_create(&self->thread, NULL, canceller_work, self), 0);
}

void canceller_end(Canceller *self) {
    pthread_join(self->thread, NULL);
    OK(self->result);
}
