/*
 * sqlite_file.h - SQLite databases for tests, written by the library itself.
 */
#ifndef TRIB_TESTS_SQLITE_FILE_H
#define TRIB_TESTS_SQLITE_FILE_H

/* Runs statements on a database, which is made if there is none; fails the test with SQLite's message. */
void sqlite_file_run(const char *path, const char *sql);
/* The same for the file `name` of a folder. */
void sqlite_file_make(const char *folder, const char *name, const char *sql);
/* Makes the database "items.db" of a folder: items (id, t), the ids 0 ... rows - 1, 'row number ' || id. */
void sqlite_file_items(const char *folder, int rows);

#endif
