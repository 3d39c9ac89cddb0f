/*
 * sqlite_file.c - SQLite databases for tests, written by the library itself. No state; any thread of cmocka's.
 */
#include "tests/connectors/sqlite_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <sqlite3.h>

void sqlite_file_run(const char *path, const char *sql) {
    sqlite3 *db;
    char *message = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) fail_msg("%s", message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

void sqlite_file_make(const char *folder, const char *name, const char *sql) {
    char path[300];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_in_range(length, 1, sizeof path - 1);
    sqlite_file_run(path, sql);
}

void sqlite_file_items(const char *folder, int rows) {
    char sql[400];
    snprintf(sql, sizeof sql,
             "CREATE TABLE items (id INTEGER NOT NULL, t TEXT NOT NULL);"
             "WITH RECURSIVE s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i < %d) "
             "INSERT INTO items SELECT i, 'row number ' || i FROM s",
             rows - 1);
    sqlite_file_make(folder, "items.db", sql);
}
