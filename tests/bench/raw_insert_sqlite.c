/*
 * raw_insert_sqlite.c - the rows of insert.c through libsqlite3 alone: a prepared statement in a loop.
 *
 * Usage: raw_insert_sqlite FILE TABLE ROWS     one line of JSON: seconds, rows
 * One transaction. Making the rows is not counted, dates are made texts beforehand; binding, stepping and the
 * commit are.
 */
#include <sqlite3.h>

#include "tests/bench/bench.h"
#include "tests/bench/insert_rows.h"

#define PIECE 1000

typedef struct Stored {
    InsertRow row;
    char date[32], at[40];
} Stored;

static sqlite3 *db;

static void check(int rc, const char *what) {
    if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW) return;
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

static void fill(Stored *rows, long first) {
    for (long i = 0; i < PIECE; i++) {
        Stored *s = &rows[i];
        insert_row(first + i, &s->row);
        snprintf(s->date, sizeof s->date, "%04d-%02d-%02d", s->row.year, s->row.month, s->row.day);
        snprintf(s->at, sizeof s->at, "2024-01-15 10:30:%02d", s->row.second);
    }
}

static void store(sqlite3_stmt *stmt, const Stored *s) {
    sqlite3_bind_int64(stmt, 1, s->row.id);
    sqlite3_bind_int(stmt, 2, s->row.number);
    sqlite3_bind_double(stmt, 3, s->row.price);
    sqlite3_bind_double(stmt, 4, s->row.rate);
    sqlite3_bind_text(stmt, 5, s->date, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 6, s->at, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 7, s->row.name, s->row.name_length, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 8, s->row.comment, s->row.comment_length, SQLITE_STATIC);
    check(sqlite3_step(stmt), "step");
    check(sqlite3_reset(stmt), "reset");
}

int main(int argc, char **argv) {
    static Stored rows[PIECE];
    char sql[500];
    sqlite3_stmt *stmt;
    long total = argc == 4 ? strtol(argv[3], NULL, 10) : 0, done = 0;
    if (total < PIECE) {
        fprintf(stderr, "usage: raw_insert_sqlite FILE TABLE ROWS\n");
        return 2;
    }
    check(sqlite3_open(argv[1], &db), "open");
    snprintf(sql, sizeof sql,
             "CREATE TABLE %s (id BIGINT, number INTEGER, price DOUBLE, rate DOUBLE, day DATE, at "
             "TIMESTAMP(3), name VARCHAR(16), comment VARCHAR(40))",
             argv[2]);
    check(sqlite3_exec(db, sql, NULL, NULL, NULL), "create");
    snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (?, ?, ?, ?, ?, ?, ?, ?)", argv[2]);
    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), "prepare");
    double start = bench_now();
    check(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
    double seconds = bench_now() - start;
    for (; done < total; done += PIECE) {
        fill(rows, done);
        start = bench_now();
        for (int i = 0; i < PIECE; i++) store(stmt, &rows[i]);
        seconds += bench_now() - start;
    }
    start = bench_now();
    check(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "commit");
    seconds += bench_now() - start;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    printf("{\"seconds\": %.6f, \"rows\": %ld}\n", seconds, done);
    return 0;
}
