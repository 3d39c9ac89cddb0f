/*
 * insert_rows.h - the rows of 8 columns that the insert benchmarks store, by their number.
 */
#ifndef TRIB_TESTS_BENCH_INSERT_ROWS_H
#define TRIB_TESTS_BENCH_INSERT_ROWS_H

#include <stdint.h>
#include <stdio.h>

#define INSERT_COLUMNS 8
#define INSERT_NAME    16
#define INSERT_COMMENT 40

typedef struct InsertRow {
    int64_t id;
    int32_t number;
    double price, rate;
    int year, month, day; /* of the date */
    int second;           /* of the timestamp 2024-01-15 10:30:ss */
    char name[INSERT_NAME], comment[INSERT_COMMENT];
    int name_length, comment_length;
} InsertRow;

static inline void insert_row(long n, InsertRow *row) {
    row->id = n;
    row->number = (int32_t)(n * 7919 % 200000);
    row->price = (double)(n % 9000000) / 100;
    row->rate = (double)(n % 11) / 100;
    row->year = (int)(1992 + n % 7);
    row->month = (int)(1 + n % 12);
    row->day = 15;
    row->second = (int)(n % 60);
    row->name_length = snprintf(row->name, sizeof row->name, "name %ld", n % 1000);
    row->comment_length =
        snprintf(row->comment, sizeof row->comment, "comment of the row number %ld", n);
}

#endif
