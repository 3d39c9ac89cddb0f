/*
 * replay.h - what the replays of applications share: connections through the driver manager, checks
 * that end the program, text as UTF-16.
 */
#ifndef TRIB_TESTS_CLIENTS_REPLAY_H
#define TRIB_TESTS_CLIENTS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>

typedef struct Session {
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
} Session;

/* A failed check prints where and what, with the statement's diagnostics, and ends the program. */
void replay_fail(const char *file, int line, const char *what, SQLHSTMT stmt);
#define CHECK(stmt, condition)                                               \
    do {                                                                     \
        if (!(condition)) replay_fail(__FILE__, __LINE__, #condition, stmt); \
    } while (0)
#define OK(stmt, call)   CHECK(stmt, (call) == SQL_SUCCESS)
#define INFO(stmt, call) CHECK(stmt, (call) == SQL_SUCCESS_WITH_INFO)

/* An environment of the version, a connection, a statement. The connection is made by SQLDriverConnectW;
 * with the manager's cursor library (cursors: SQL_CUR_USE_ODBC), which knows no W functions, by
 * SQLDriverConnect. */
void session_open(Session *self, SQLULEN version, SQLULEN cursors, const char *string);
void session_close(Session *self);
/* Is the first record of the handle this SQLSTATE? */
bool state_is(SQLSMALLINT kind, SQLHANDLE handle, const char *state);
/* ASCII to UTF-16 with a terminator; static storage, eight buffers in turn. */
SQLWCHAR *wide(const char *text);
/* Does UTF-16 text (terminated) spell the ASCII text? */
bool wide_is(const SQLWCHAR *text, const char *ascii);
/* A column of the current row as bytes; "(null)". Static storage. */
const char *cell(SQLHSTMT stmt, SQLUSMALLINT column);
/* Rows that are left; closes the cursor. */
SQLLEN drain(SQLHSTMT stmt);

/* The sequences, a file each. dsn: names the data source of the tests. */
void replay_power_query(const char *dsn);
void replay_ado(const char *dsn);
void replay_edit(const char *dsn);
void replay_tableau(const char *dsn);
void replay_cursor_library(const char *dsn);

#endif
