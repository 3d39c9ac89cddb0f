/*
 * raw_mysql.c - the same query by libmariadb alone: what one connection can give.
 *
 * Usage: raw_mysql HOST PORT USER PASSWORD QUERY text|binary. One line of JSON. `text` is
 * mysql_use_result, `binary` a prepared statement with bound buffers; neither stores the result.
 */
#include <mysql.h>

#include "tests/bench/bench.h"

#define MAX_COLUMNS 64

static unsigned long long run_text(MYSQL *mysql, const char *query) {
    unsigned long long rows = 0;
    if (mysql_query(mysql, query)) return 0;
    MYSQL_RES *result = mysql_use_result(mysql);
    while (result && mysql_fetch_row(result)) rows++;
    mysql_free_result(result);
    return rows;
}

static unsigned long long run_binary(MYSQL *mysql, const char *query) {
    static char data[MAX_COLUMNS][512];
    static unsigned long lengths[MAX_COLUMNS];
    static my_bool nulls[MAX_COLUMNS];
    MYSQL_BIND binds[MAX_COLUMNS];
    unsigned long long rows = 0;
    MYSQL_STMT *stmt = mysql_stmt_init(mysql);
    if (mysql_stmt_prepare(stmt, query, strlen(query)) || mysql_stmt_execute(stmt)) return 0;
    MYSQL_RES *meta = mysql_stmt_result_metadata(stmt);
    unsigned n = mysql_num_fields(meta);
    memset(binds, 0, sizeof binds);
    for (unsigned i = 0; i < n && i < MAX_COLUMNS; i++) {
        enum enum_field_types type = mysql_fetch_field_direct(meta, i)->type;
        binds[i].buffer_type = type == MYSQL_TYPE_NEWDECIMAL ? MYSQL_TYPE_STRING : type;
        binds[i].buffer = data[i];
        binds[i].buffer_length = sizeof data[i];
        binds[i].length = &lengths[i];
        binds[i].is_null = &nulls[i];
    }
    mysql_free_result(meta);
    mysql_stmt_bind_result(stmt, binds);
    while (mysql_stmt_fetch(stmt) == 0) rows++;
    mysql_stmt_close(stmt);
    return rows;
}

int main(int argc, char **argv) {
    if (argc < 7) {
        fprintf(stderr, "usage: raw_mysql HOST PORT USER PASSWORD QUERY text|binary\n");
        return 2;
    }
    MYSQL *mysql = mysql_init(NULL);
    my_bool verify = 0;
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (!mysql_real_connect(mysql, argv[1], argv[3], argv[4], NULL,
                            (unsigned)strtol(argv[2], NULL, 10), NULL, 0)) {
        fprintf(stderr, "connect: %s\n", mysql_error(mysql));
        return 1;
    }
    long before = bench_memory_kib("VmRSS");
    double start = bench_now();
    unsigned long long rows =
        strcmp(argv[6], "text") == 0 ? run_text(mysql, argv[5]) : run_binary(mysql, argv[5]);
    if (rows == 0) fprintf(stderr, "query: %s\n", mysql_error(mysql));
    printf("{\"seconds\": [%.6f], \"rows\": %llu, \"before_kib\": %ld, \"peak_kib\": %ld}\n",
           bench_now() - start, rows, before, bench_memory_kib("VmHWM"));
    mysql_close(mysql);
    return rows == 0;
}
