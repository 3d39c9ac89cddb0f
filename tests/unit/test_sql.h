/*
 * test_sql.h - what the tests of the SQL front end share: parsing with a clear failure, dumps.
 */
#ifndef TRIB_TEST_SQL_H
#define TRIB_TEST_SQL_H

#include "tests/unit/test_base.h"

#include "tests/unit/sql_dump.h"

#define SQL_TEST_TEXT_MAX (64u << 20)

/* Parses or fails the test. The arena is the caller's. */
static inline AstStatement *sql_must_parse(Arena *arena, Str text) {
    AstStatement *statement = NULL;
    Error err = {0};
    if (sql_parse(arena, text, &statement, &err) != TRIB_OK) {
        fail_msg("%.*s\n  %u:%u %s", (int)(text.len < 2000 ? text.len : 2000), text.data, err.line,
                 err.column, err.message);
    }
    return statement;
}

static inline Str sql_dump(Arena *arena, const AstStatement *statement) {
    Buf out;
    buf_init(&out, arena, SQL_TEST_TEXT_MAX);
    dump_statement(&out, statement);
    assert_false(out.failed);
    return buf_view(&out);
}

static inline Str sql_printed(Arena *arena, const AstStatement *statement) {
    Buf out;
    buf_init(&out, arena, SQL_TEST_TEXT_MAX);
    ast_print_statement(&out, statement);
    assert_false(out.failed);
    return buf_view(&out);
}

#endif
