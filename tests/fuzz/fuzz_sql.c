/*
 * fuzz_sql.c - libFuzzer harness of the SQL front end.
 *
 * Any bytes, whole and statement by statement: parsing must end in a tree or in an error record that is well formed. A tree must survive
 * printing and parsing unchanged. Splitting must make progress. Parsing runs on a thread with the stack that
 * the engine gives its own threads in a sanitized build.
 *
 *   tests/fuzz/fuzz_sql -dict=tests/fuzz/sql.dict -max_len=4096 tests/fuzz/corpus/sql
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/sql_dump.h"

#define STACK       (64u << 20)
#define PRINTED_MAX (16u << 20)

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "fuzz_sql: %s\n", what);
    abort();
}

static Str printed(Arena *arena, const AstStatement *statement) {
    Buf out;
    buf_init(&out, arena, PRINTED_MAX);
    ast_print_statement(&out, statement);
    check(!out.failed, "printing failed");
    return buf_view(&out);
}

static Str dumped(Arena *arena, const AstStatement *statement) {
    Buf out;
    buf_init(&out, arena, PRINTED_MAX);
    dump_statement(&out, statement);
    check(!out.failed, "dumping failed");
    return buf_view(&out);
}

static void check_statement(Str text) {
    Arena *arena = arena_new(NULL);
    AstStatement *first, *second;
    Error err = {0};
    if (sql_parse(arena, text, &first, &err) == TRIB_OK) {
        Str again = printed(arena, first);
        /* parentheses that the printer adds may lead beyond a limit, nothing else may */
        Status status = sql_parse(arena, again, &second, &err);
        check(status == TRIB_OK || status == TRIB_LIMIT, again.data);
        if (status == TRIB_OK)
            check(str_equal(dumped(arena, first), dumped(arena, second)), again.data);
    } else {
        check(err.message[0] && utf8_valid(err.message, strlen(err.message)), "no message");
        check(utf8_valid(err.hint, strlen(err.hint)), "invalid hint");
    }
    arena_free(arena);
}

static void *run(void *context) {
    const Str *text = context;
    check_statement(*text);
    size_t at = 0, before = 0;
    Str statement;
    while (sql_split(*text, &at, &statement)) {
        check(at > before && at <= text->len && statement.len > 0, "splitting stands still");
        before = at;
        check_statement(statement);
    }
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = {(const char *)data, size};
    pthread_attr_t attributes;
    pthread_t thread;
    check(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0,
          "no stack");
    check(pthread_create(&thread, &attributes, run, &text) == 0, "no thread");
    check(pthread_join(thread, NULL) == 0, "no end");
    pthread_attr_destroy(&attributes);
    return 0;
}
