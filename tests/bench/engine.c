/*
 * engine.c - times statements through the engine's API.
 *
 * Usage: engine CONFIG REPEATS STATEMENT ... ; a statement that begins with '!' is run once and not
 * timed (set-up, SET SESSION). One line of JSON per timed statement: seconds of each repeat, rows,
 * resident memory before and the peak during it in KiB.
 */
#include "engine/tributary.h"
#include "tests/bench/bench.h"

static void die(const char *what, const Error *err) {
    fprintf(stderr, "%s: [%s] %s\n", what, err->sqlstate, err->message);
    exit(1);
}

static uint64_t run(Statement *statement, const char *sql) {
    Error err;
    uint64_t rows = 0;
    if (statement_prepare(statement, str_from(sql), &err) != TRIB_OK) die(sql, &err);
    if (statement_execute(statement, &err) != TRIB_OK) die(sql, &err);
    while (statement_kind(statement) == STATEMENT_QUERY) {
        const BatchView *batch;
        if (statement_fetch(statement, &batch, &err) != TRIB_OK) die(sql, &err);
        if (batch->rows == 0) break;
        rows += batch->rows;
    }
    statement_close(statement);
    return rows;
}

int main(int argc, char **argv) {
    Error err;
    Session *session;
    Statement *statement;
    if (argc < 4) {
        fprintf(stderr, "usage: engine CONFIG REPEATS STATEMENT ...\n");
        return 2;
    }
    SessionParams params = {.config = str_from(argv[1]), .deadline_ns = INT64_MAX};
    if (session_open(&params, NULL, NULL, &session, &err) != TRIB_OK) die("open", &err);
    if (statement_new(session, &statement, &err) != TRIB_OK) die("statement", &err);
    long repeats = strtol(argv[2], NULL, 10);
    for (int i = 3; i < argc; i++) {
        if (argv[i][0] == '!') {
            run(statement, argv[i] + 1);
            continue;
        }
        uint64_t rows = 0;
        bench_memory_reset();
        long before = bench_memory_kib("VmRSS");
        printf("{\"seconds\": [");
        for (long r = 0; r < repeats; r++) {
            double start = bench_now();
            rows = run(statement, argv[i]);
            printf("%s%.6f", r ? ", " : "", bench_now() - start);
        }
        printf("], \"rows\": %llu, \"before_kib\": %ld, \"peak_kib\": %ld}\n",
               (unsigned long long)rows, before, bench_memory_kib("VmHWM"));
        fflush(stdout);
    }
    statement_free(statement);
    session_close(session);
    return 0;
}
