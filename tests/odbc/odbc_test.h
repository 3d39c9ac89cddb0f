/*
 * odbc_test.h - what the ODBC tests share: the functions of a driver or of the manager in a table,
 * connections, checks.
 */
#ifndef TRIB_TESTS_ODBC_TEST_H
#define TRIB_TESTS_ODBC_TEST_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

#define MEMBER_PLAIN(name) __typeof__(&name) name;
#define MEMBER_TEXT(name)   \
    __typeof__(&name) name; \
    __typeof__(&name##W) name##W;

typedef struct Odbc {
    void *library;
#define API(name, id, kind, lock, diagnostics, twins, states) MEMBER_##twins(name)
#include "driver/api_functions.def"
#undef API
} Odbc;

/* Loads the library and fills the table; fails the test when a function is missing. */
void odbc_load(Odbc *self, const char *path);

/* Writes a whole file; path: a pattern of mkstemp, which becomes the file's name. */
void file_new(char *path, const char *text);
/* Writes a whole file of a folder. */
void file_write(const char *folder, const char *name, const char *text);
/* The string that connects to a catalog of a configuration, remembering nothing on disk. */
void connection_string(char *out, size_t size, const char *config, const char *connectors,
                       const char *catalog);

typedef struct Link {
    Odbc *odbc;
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
} Link;

/* Environment of a version, connection (ANSI or W), one statement. */
void link_open(Link *self, Odbc *odbc, SQLULEN version, const char *string, bool wide);
void link_close(Link *self);

/* The first record's SQLSTATE and message; "" if there is none. Static storage. */
const char *diag_of(Odbc *odbc, SQLSMALLINT kind, SQLHANDLE handle);
const char *diag_message(void);

#define STATE_IS(link, expected) \
    assert_string_equal(diag_of((link)->odbc, SQL_HANDLE_STMT, (link)->stmt), expected)
#define OK(expression)    assert_int_equal(expression, SQL_SUCCESS)
#define INFO(expression)  assert_int_equal(expression, SQL_SUCCESS_WITH_INFO)
#define FAILS(expression) assert_int_equal(expression, SQL_ERROR)

SQLRETURN run(Link *link, const char *sql); /* SQLExecDirect */
void run_ok(Link *link, const char *sql);
void set_attribute(Link *link, SQLINTEGER id, SQLULEN value); /* of the statement */
/* A second statement of the connection, for what happens beside the cursor. */
void beside(Link *link, const char *sql);
/* The only value of a query on a statement of its own. */
void value_is(Link *link, const char *sql, const char *expected);
void close_cursor(Link *link);
/* A column of the current row as UTF-8 text; "(null)". Static storage. */
const char *text_of(Link *link, SQLUSMALLINT column);
/* A thread that cancels a statement when the one that began it sleeps in a call: it waits for the fact, not for a time,
 * for a machine may stall. The end fails the test where SQLCancel does. */
typedef struct Canceller {
    Odbc *odbc;
    SQLHSTMT stmt;
    long caller; /* as the kernel numbers threads */
    pthread_t thread;
    SQLRETURN result;
} Canceller;

void canceller_begin(Canceller *self, Odbc *odbc, SQLHSTMT stmt);
void canceller_end(Canceller *self);
/* UTF-8 to UTF-16 without a terminator; code units. */
size_t utf16_encode(const char *text, SQLWCHAR *out);
/* ASCII to UTF-16 with a terminator; static storage, eight buffers in turn. */
SQLWCHAR *wide(const char *text);

#endif
