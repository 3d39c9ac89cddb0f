/*
 * raw_insert_mysql.c - the rows of insert.c through libmariadb alone: INSERTs of 1,000 rows.
 *
 * Usage: raw_insert_mysql HOST PORT USER PASSWORD TABLE ROWS text|prepared|bulk     one line of JSON: seconds, rows
 * One transaction. `text`: the values stand in the statement, which is made beforehand. `prepared`: a statement of 8,000
 * parameters, prepared once. `bulk`: MariaDB's arrays of parameters. Making the rows is not counted; sending them
 * and the commit are.
 */
#include <mysql.h>

#include "tests/bench/bench.h"
#include "tests/bench/insert_rows.h"

#define PIECE 1000

typedef struct Piece {
    InsertRow rows[PIECE];
    MYSQL_TIME days[PIECE], times[PIECE];
    long long ids[PIECE];
    int numbers[PIECE];
    double prices[PIECE], rates[PIECE];
    MYSQL_TIME *day_at[PIECE], *time_at[PIECE];
    char *name_at[PIECE], *comment_at[PIECE];
    unsigned long names[PIECE], comments[PIECE];
    char text[PIECE * 200 + 200];
} Piece;

static Piece piece;
static MYSQL *mysql;

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void run(const char *sql) {
    if (mysql_query(mysql, sql)) die(sql, mysql_error(mysql));
}

static void fill(long first, const char *table) {
    size_t at = (size_t)snprintf(piece.text, sizeof piece.text, "INSERT INTO %s VALUES ", table);
    for (int i = 0; i < PIECE; i++) {
        InsertRow *r = &piece.rows[i];
        insert_row(first + i, r);
        piece.ids[i] = r->id;
        piece.numbers[i] = r->number;
        piece.prices[i] = r->price;
        piece.rates[i] = r->rate;
        piece.days[i] = (MYSQL_TIME){.year = (unsigned)r->year,
                                     .month = (unsigned)r->month,
                                     .day = (unsigned)r->day,
                                     .time_type = MYSQL_TIMESTAMP_DATE};
        piece.times[i] = (MYSQL_TIME){.year = 2024,
                                      .month = 1,
                                      .day = 15,
                                      .hour = 10,
                                      .minute = 30,
                                      .second = (unsigned)r->second,
                                      .time_type = MYSQL_TIMESTAMP_DATETIME};
        piece.day_at[i] = &piece.days[i];
        piece.time_at[i] = &piece.times[i];
        piece.name_at[i] = r->name;
        piece.comment_at[i] = r->comment;
        piece.names[i] = (unsigned long)r->name_length;
        piece.comments[i] = (unsigned long)r->comment_length;
        at += (size_t)snprintf(
            piece.text + at, sizeof piece.text - at,
            "%s(%lld,%d,%.17g,%.17g,'%04d-%02d-%02d','2024-01-15 10:30:%02d','%s','%s')",
            i ? "," : "", (long long)r->id, r->number, r->price, r->rate, r->year, r->month, r->day,
            r->second, r->name, r->comment);
    }
}

/* A bind for row i of a column, or for all rows as an array. */
static MYSQL_BIND bind_of(int column, int i, int array) {
    static const enum enum_field_types types[] = {
        MYSQL_TYPE_LONGLONG, MYSQL_TYPE_LONG,     MYSQL_TYPE_DOUBLE, MYSQL_TYPE_DOUBLE,
        MYSQL_TYPE_DATE,     MYSQL_TYPE_DATETIME, MYSQL_TYPE_STRING, MYSQL_TYPE_STRING};
    void *const values[] = {&piece.ids[i],    &piece.numbers[i],  &piece.prices[i],
                            &piece.rates[i],  &piece.days[i],     &piece.times[i],
                            piece.name_at[i], piece.comment_at[i]};
    void *const arrays[] = {piece.ids,    piece.numbers, piece.prices,  piece.rates,
                            piece.day_at, piece.time_at, piece.name_at, piece.comment_at};
    unsigned long *lengths[] = {
        NULL, NULL, NULL, NULL, NULL, NULL, &piece.names[i], &piece.comments[i]};
    return (MYSQL_BIND){.buffer_type = types[column],
                        .buffer = array ? arrays[column] : values[column],
                        .length = lengths[column],
                        .buffer_length = lengths[column] ? *lengths[column] : 0};
}

static MYSQL_STMT *prepare(const char *table, int rows) {
    static char sql[PIECE * 20 + 200];
    size_t at = (size_t)snprintf(sql, sizeof sql, "INSERT INTO %s VALUES ", table);
    for (int i = 0; i < rows; i++)
        at += (size_t)snprintf(sql + at, sizeof sql - at, "%s(?,?,?,?,?,?,?,?)", i ? "," : "");
    MYSQL_STMT *stmt = mysql_stmt_init(mysql);
    if (mysql_stmt_prepare(stmt, sql, at)) die("prepare", mysql_stmt_error(stmt));
    return stmt;
}

static void execute(MYSQL_STMT *stmt, int array) {
    static MYSQL_BIND binds[PIECE * INSERT_COLUMNS];
    unsigned int rows = PIECE;
    for (int i = 0; i < (array ? 1 : PIECE); i++) {
        for (int c = 0; c < INSERT_COLUMNS; c++)
            binds[i * INSERT_COLUMNS + c] = bind_of(c, i, array);
    }
    if (array) mysql_stmt_attr_set(stmt, STMT_ATTR_ARRAY_SIZE, &rows);
    if (mysql_stmt_bind_param(stmt, binds) || mysql_stmt_execute(stmt))
        die("execute", mysql_stmt_error(stmt));
}

static double store(const char *table, long total, const char *how) {
    int array = strcmp(how, "bulk") == 0;
    MYSQL_STMT *stmt = strcmp(how, "text") == 0 ? NULL : prepare(table, array ? 1 : PIECE);
    double start = bench_now();
    run("START TRANSACTION");
    double seconds = bench_now() - start;
    for (long done = 0; done < total; done += PIECE) {
        fill(done, table);
        start = bench_now();
        if (stmt)
            execute(stmt, array);
        else
            run(piece.text);
        seconds += bench_now() - start;
    }
    start = bench_now();
    run("COMMIT");
    seconds += bench_now() - start;
    if (stmt) mysql_stmt_close(stmt);
    return seconds;
}

int main(int argc, char **argv) {
    long total = argc == 8 ? strtol(argv[6], NULL, 10) : 0;
    char sql[600];
    my_bool verify = 0;
    if (total < PIECE) {
        fprintf(stderr,
                "usage: raw_insert_mysql HOST PORT USER PASSWORD TABLE ROWS text|prepared|bulk\n");
        return 2;
    }
    mysql = mysql_init(NULL);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (!mysql_real_connect(mysql, argv[1], argv[3], argv[4], NULL,
                            (unsigned)strtol(argv[2], NULL, 10), NULL, 0))
        die("connect", mysql_error(mysql));
    snprintf(sql, sizeof sql,
             "CREATE TABLE %s (id BIGINT, number INT, price DOUBLE, rate DOUBLE, day DATE, at "
             "DATETIME(3), "
             "name VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin, comment "
             "VARCHAR(40) CHARACTER "
             "SET utf8mb4 COLLATE utf8mb4_nopad_bin) ENGINE=InnoDB",
             argv[5]);
    run(sql);
    double seconds = store(argv[5], total, argv[7]);
    printf("{\"seconds\": %.6f, \"rows\": %ld}\n", seconds, total);
    mysql_close(mysql);
    return 0;
}
