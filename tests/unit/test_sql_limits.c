/*
 * test_sql_limits.c - nesting, sizes, counts: the last that works and the first that does not; long chains;
 * hostile text; failing allocations.
 *
 * Everything runs on a thread with the stack that the engine's own threads have, so that a recursion that
 * costs too much per level is found here.
 */
#include "tests/unit/test_sql.h"

#include <pthread.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define TEST_STACK (64u << 20)
#endif
#endif
#if !defined(TEST_STACK) && defined(__SANITIZE_ADDRESS__)
#define TEST_STACK (64u << 20)
#endif
#ifndef TEST_STACK
#define TEST_STACK (8u << 20)
#endif

typedef struct Attempt {
    Arena *arena;
    Str text;
    AstStatement *statement;
    Error err;
    Status status;
    Str printed;
} Attempt;

/* Parses, and prints what parsed. */
static void *attempt_run(void *context) {
    Attempt *a = context;
    a->status = sql_parse(a->arena, a->text, &a->statement, &a->err);
    if (a->status == TRIB_OK) a->printed = sql_printed(a->arena, a->statement);
    return NULL;
}

static void attempt(Attempt *a) {
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, TEST_STACK), 0);
    assert_int_equal(pthread_create(&thread, &attributes, attempt_run, a), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

static void expect_works(Arena *arena, Str text) {
    Attempt a = {.arena = arena, .text = text};
    attempt(&a);
    if (a.status != TRIB_OK)
        fail_msg("%.60s: %u:%u %s", text.data, a.err.line, a.err.column, a.err.message);
    Attempt again = {.arena = arena, .text = a.printed};
    attempt(&again);
    if (again.status != TRIB_OK) fail_msg("printed %.60s: %s", text.data, again.err.message);
    assert_true(str_equal(a.printed, again.printed));
}

static void expect_limit(Arena *arena, Str text) {
    Attempt a = {.arena = arena, .text = text};
    attempt(&a);
    if (a.status != TRIB_LIMIT) fail_msg("%.60s: status %d %s", text.data, a.status, a.err.message);
    assert_string_equal(a.err.sqlstate, "54000");
}

/* head + open x n + middle + close x n + tail */
static Str repeated(Arena *arena, const char *head, const char *open, uint32_t n,
                    const char *middle, const char *close, const char *tail) {
    Buf out;
    buf_init(&out, arena, 8u << 20);
    buf_text(&out, head);
    for (uint32_t i = 0; i < n; i++) buf_text(&out, open);
    buf_text(&out, middle);
    for (uint32_t i = 0; i < n; i++) buf_text(&out, close);
    buf_text(&out, tail);
    assert_false(out.failed);
    return buf_view(&out);
}

/* ---------------------------------------------------------------- nesting */

static const struct {
    const char *head, *open, *middle, *close, *tail;
} nestings[] = {
    {"SELECT ", "(", "1", ")", ""},
    {"SELECT ", "f(", "1", ")", ""},
    {"SELECT ", "f(1, a, ", "1", ")", ""},
    {"SELECT ", "- ", "a", "", ""},
    {"SELECT ", "NOT ", "a", "", ""},
    {"SELECT ", "+", "a", "", ""},
    {"SELECT ", "(SELECT ", "1", ")", ""},
    {"SELECT ", "EXISTS (SELECT ", "1", ")", ""},
    {"SELECT ", "a IN (", "1", ")", ""},
    {"SELECT ", "a IN (SELECT ", "1", ")", ""},
    {"SELECT ", "a = ALL (SELECT ", "1", ")", ""},
    {"SELECT ", "CASE WHEN ", "a", " THEN 1 END", ""},
    {"SELECT ", "CASE ", "a", " WHEN 1 THEN 2 END", ""},
    {"SELECT ", "CAST(", "1", " AS int)", ""},
    {"SELECT ", "ARRAY[", "1", "]", ""},
    {"SELECT ", "ROW(", "1", ")", ""},
    {"SELECT ", "(1, ", "1", ")", ""},
    {"SELECT ", "a[", "1", "]", ""},
    {"SELECT ", "x -> ", "1", "", ""},
    {"SELECT ", "(x, y) -> ", "1", "", ""},
    {"SELECT ", "EXTRACT(YEAR FROM ", "a", ")", ""},
    {"SELECT ", "TRIM('x' FROM ", "a", ")", ""},
    {"SELECT ", "SUBSTRING(", "a", " FROM 1)", ""},
    {"SELECT ", "POSITION(a IN ", "a", ")", ""},
    {"SELECT ", "f() FILTER (WHERE ", "a", ")", ""},
    {"SELECT ", "f() OVER (PARTITION BY ", "a", ")", ""},
    {"SELECT ", "f(a ORDER BY ", "a", ")", ""},
    {"SELECT ", "{fn lcase(", "a", ")}", ""},
    {"SELECT ", "JSON_ARRAY(", "a", ")", ""},
    {"SELECT ", "JSON_VALUE(a, '$' DEFAULT ", "1", " ON ERROR)", ""},
    {"", "(", "SELECT 1", ")", ""},
    {"", "(", "SELECT 1", " UNION SELECT 2)", ""},
    {"SELECT * FROM ", "(", "t", ")", ""},
    {"SELECT * FROM ", "(SELECT * FROM ", "t", ")", ""},
    {"SELECT * FROM ", "LATERAL (SELECT * FROM ", "t", ")", ""},
    {"SELECT * FROM ", "(", "SELECT 1", ")", ""},
    {"SELECT * FROM t JOIN ", "t JOIN ", "t", " ON TRUE", " ON TRUE"},
    {"SELECT * FROM ", "{oj ", "t", "}", ""},
    {"", "WITH a AS (", "SELECT 1", ") TABLE a", ""},
    {"", "EXPLAIN ", "SELECT 1", "", ""},
    {"", "PREPARE p FROM ", "SELECT 1", "", ""},
    {"SELECT CAST(1 AS ", "array(", "int", ")", ")"},
    {"SELECT CAST(1 AS ", "row(a ", "int", ")", ")"},
    {"CREATE TABLE t (a ", "map(int, ", "int", ")", ")"},
    {"CREATE TABLE t (a int", "", "", " array", ")"},
    {"CREATE EXTERNAL TABLE t (a ", "struct<a:", "int", ">", ")"},
    {"SELECT * FROM TABLE(f(", "(", "1", ")", "))"},
    {"SELECT ", "(SELECT (SELECT 1), ", "1", ")", ""},
    {"SHOW STATS FOR ", "", "(SELECT 1)", "", ""},
};

/* What stands around the nesting may cost a few levels itself. */
static uint32_t deepest(Arena *arena, size_t row) {
    for (uint32_t n = SQL_MAX_DEPTH; n > SQL_MAX_DEPTH - 8; n--) {
        Attempt a = {.arena = arena};
        a.text = repeated(arena, nestings[row].head, nestings[row].open, n, nestings[row].middle,
                          nestings[row].close, nestings[row].tail);
        attempt(&a);
        if (a.status == TRIB_OK) return n;
    }
    fail_msg("%s%s", nestings[row].head, nestings[row].open);
    return 0;
}

static void nesting(void **state) {
    for (size_t i = 0; i < COUNT_OF(nestings); i++) {
        Arena *arena = arena_new(NULL);
        bool endless = !nestings[i].open[0] && !nestings[i].close[0];
        uint32_t n = deepest(arena, i);
        for (uint32_t k = n - 1; k <= n; k++) {
            Str text = repeated(arena, nestings[i].head, nestings[i].open, k, nestings[i].middle,
                                nestings[i].close, nestings[i].tail);
            expect_works(arena, text);
        }
        for (uint32_t k = n + 1; k <= 30000 && !endless; k *= 5) {
            Str text = repeated(arena, nestings[i].head, nestings[i].open, k, nestings[i].middle,
                                nestings[i].close, nestings[i].tail);
            if (text.len <= SQL_MAX_TEXT) expect_limit(arena, text);
        }
        arena_free(arena);
    }
}

/* The plain forms reach the documented depth to the last level. */
static void exact_depth(void **state) {
    Arena *arena = arena_new(NULL);
    for (size_t i = 0; i < 20; i++) {
        uint32_t n = deepest(arena, i);
        if (n != SQL_MAX_DEPTH) fail_msg("%s%s: %u", nestings[i].head, nestings[i].open, n);
    }
    arena_free(arena);
}

/* Nothing closes: the depth must stop it, quickly. */
static void never_closed(void **state) {
    static const char *const opens[] = {"(",
                                        "SELECT (",
                                        "f(",
                                        "[",
                                        "{",
                                        "CASE WHEN ",
                                        "a[",
                                        "NOT ",
                                        "-",
                                        "- ",
                                        "(SELECT ",
                                        "a IN (",
                                        "ARRAY[",
                                        "x -> ",
                                        "{fn ",
                                        "((",
                                        "SELECT * FROM (",
                                        "EXPLAIN ",
                                        "(a, ",
                                        "WITH a AS (",
                                        "a JOIN ",
                                        "JSON_ARRAY(",
                                        "f(a => "};
    static const char *const heads[] = {"", "SELECT ", "SELECT * FROM ", "SELECT * FROM t WHERE "};
    Arena *arena = arena_new(NULL);
    for (size_t h = 0; h < COUNT_OF(heads); h++) {
        for (size_t i = 0; i < COUNT_OF(opens); i++) {
            uint32_t n = (uint32_t)((SQL_MAX_TEXT - 100) / strlen(opens[i]));
            Attempt a = {.arena = arena,
                         .text = repeated(arena, heads[h], opens[i], n, "", "", "")};
            attempt(&a);
            assert_int_not_equal(a.status, TRIB_OK);
            arena_reset(arena);
        }
    }
    arena_free(arena);
}

/* ---------------------------------------------------------------- chains and counts */

static void chains(void **state) {
    Arena *arena = arena_new(NULL);
    /* one node, whatever the length */
    expect_works(arena, repeated(arena, "SELECT a", " AND b = 1", 90000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT a", " OR b", 90000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT a", " || b", 90000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT a IN (1", ", 1", 200000, "", "", ")"));
    expect_works(arena, repeated(arena, "VALUES (1, 'a')", ", (1, 'a')", 90000, "", "", ""));
    expect_works(arena, repeated(arena, "INSERT INTO t VALUES 1", ", 1", 200000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT f(1", ", 1", 200000, "", "", ")"));
    expect_works(arena, repeated(arena, "SELECT ARRAY[1", ", 1", 200000, "", "", "]"));
    expect_works(arena, repeated(arena, "SELECT (1", ", 1", 200000, "", "", ")"));
    expect_works(arena, repeated(arena, "SELECT CASE", " WHEN a THEN 1", 60000, "", "", " END"));
    expect_works(arena, repeated(arena, "WITH a AS (SELECT 1)", ", a AS (SELECT 1)", 50000, "", "",
                                 " TABLE a"));
    expect_works(arena, repeated(arena, "SELECT 1 ORDER BY 1", ", a", 100000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT 1 GROUP BY 1", ", a", 100000, "", "", ""));
    expect_works(arena, repeated(arena, "TABLE a", ".b", 100000, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT a", ".b", 100000, "", "", ""));
    /* two levels each: the join and the derived table */
    expect_works(arena, repeated(arena, "SELECT * FROM ", "(SELECT * FROM a JOIN ", 990, "t",
                                 " ON TRUE)", ""));
    expect_limit(arena, repeated(arena, "SELECT * FROM ", "(SELECT * FROM a JOIN ", 1010, "t",
                                 " ON TRUE)", ""));
    /* a level for each operator */
    static const char *const links[] = {" + 1", " * 1", " - a", " % 2"};
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        expect_works(arena, repeated(arena, "SELECT a", links[i], SQL_MAX_HEIGHT, "", "", ""));
        expect_limit(arena, repeated(arena, "SELECT a", links[i], SQL_MAX_HEIGHT + 1, "", "", ""));
        expect_limit(arena, repeated(arena, "SELECT a", links[i], 100000, "", "", ""));
    }
    static const struct {
        const char *head, *link;
    } rows[] = {{"SELECT 1", " UNION ALL SELECT 1"},
                {"SELECT 1", " INTERSECT SELECT 1"},
                {"SELECT * FROM t", ", t"},
                {"SELECT * FROM t", " JOIN t ON a"},
                {"SELECT a[1]", "[1]"},
                {"SELECT f(a)", ".b"},
                {"SELECT a", " AT TIME ZONE 'UTC'"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        expect_works(arena,
                     repeated(arena, rows[i].head, rows[i].link, SQL_MAX_HEIGHT - 1, "", "", ""));
        expect_limit(arena,
                     repeated(arena, rows[i].head, rows[i].link, SQL_MAX_HEIGHT + 1, "", "", ""));
        expect_limit(arena, repeated(arena, rows[i].head, rows[i].link, 30000, "", "", ""));
    }
    arena_free(arena);
}

static void counts(void **state) {
    Arena *arena = arena_new(NULL);
    uint32_t columns = SQL_MAX_COLUMNS, parameters = SQL_MAX_PARAMETERS;
    expect_works(arena, repeated(arena, "SELECT 1", ", 1", columns - 1, "", "", ""));
    expect_limit(arena, repeated(arena, "SELECT 1", ", 1", columns, "", "", ""));
    expect_works(arena, repeated(arena, "VALUES (1", ", 1", columns - 1, "", "", ")"));
    expect_limit(arena, repeated(arena, "VALUES (1", ", 1", columns, "", "", ")"));
    expect_works(arena,
                 repeated(arena, "CREATE TABLE t (a int", ", a int", columns - 1, "", "", ")"));
    expect_limit(arena, repeated(arena, "CREATE TABLE t (a int", ", a int", columns, "", "", ")"));
    expect_works(arena,
                 repeated(arena, "INSERT INTO t (a", ", a", columns - 1, "", "", ") SELECT 1"));
    expect_limit(arena, repeated(arena, "INSERT INTO t (a", ", a", columns, "", "", ") SELECT 1"));
    expect_works(arena, repeated(arena, "SELECT f(?", ", ?", parameters - 1, "", "", ")"));
    expect_limit(arena, repeated(arena, "SELECT f(?", ", ?", parameters, "", "", ")"));
    arena_free(arena);
}

static void sizes(void **state) {
    Arena *arena = arena_new(NULL);
    uint32_t most = SQL_MAX_TEXT;
    expect_works(arena, repeated(arena, "SELECT '", "x", most - 9, "", "", "'"));
    expect_limit(arena, repeated(arena, "SELECT '", "x", most - 8, "", "", "'"));
    expect_works(arena, repeated(arena, "SELECT 1", " ", most - 8, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT \"", "\"\"", (most - 10) / 2, "", "", "\""));
    expect_works(arena, repeated(arena, "SELECT ", "9", most - 8, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT ", "x", most - 8, "", "", ""));
    expect_works(arena, repeated(arena, "SELECT X'", "00", (most - 10) / 2, "", "", "'"));
    expect_works(arena, repeated(arena, "SELECT 1 --", "x", most - 11, "", "", ""));
    expect_works(arena, repeated(arena, "/*", "*", most - 20, "", "", "*/ SELECT 1"));
    expect_works(arena, repeated(arena, "SELECT U&'", "\\00e4", (most - 20) / 5, "", "", "'"));
    Attempt a = {.arena = arena, .text = repeated(arena, "", "\n", most - 1, "", "", "#")};
    attempt(&a);
    assert_int_equal(a.err.line, most);
    assert_int_equal(a.err.column, 1);
    arena_free(arena);
}

/* ---------------------------------------------------------------- hostile text */

static const char *const pieces[] = {
    "SELECT ",
    "FROM ",
    "WHERE ",
    "GROUP BY ",
    "ORDER BY ",
    "(",
    ")",
    ",",
    ".",
    "*",
    "=",
    "<",
    "-",
    "+",
    "||",
    "'x'",
    "'",
    "\"a\"",
    "\"",
    "a ",
    "b ",
    "1",
    "1.5",
    "?",
    "{",
    "}",
    "{fn ",
    "{d '2024-01-01'}",
    "[",
    "]",
    "CASE ",
    "WHEN ",
    "THEN ",
    "ELSE ",
    "END ",
    "NOT ",
    "AND ",
    "OR ",
    "IN ",
    "LIKE ",
    "BETWEEN ",
    "IS ",
    "NULL ",
    "CAST(",
    " AS ",
    "int",
    "array",
    "->",
    "=>",
    "JOIN ",
    "LEFT ",
    "ON ",
    "USING ",
    "UNION ",
    "ALL ",
    "INTERSECT ",
    "VALUES ",
    "TABLE ",
    "WITH ",
    "RECURSIVE ",
    "LIMIT ",
    "OFFSET ",
    "FETCH FIRST ",
    "ROWS ",
    "ONLY ",
    "EXISTS ",
    "INTERVAL ",
    "DAY ",
    "TO ",
    "AT TIME ZONE ",
    "OVER ",
    "PARTITION BY ",
    "UNNEST(",
    "LATERAL ",
    "CREATE ",
    "EXTERNAL ",
    "INSERT INTO ",
    "UPDATE ",
    "SET ",
    "DELETE ",
    "MERGE ",
    "EXPLAIN ",
    "SHOW ",
    "TABLES ",
    "ALTER TABLE ",
    "DROP ",
    "PREPARE ",
    "EXECUTE ",
    ";",
    "--",
    "/*",
    "*/",
    "\n",
    "`x`",
    "\xC3\xA4",
    "\xFF",
    "\0",
    "JSON_VALUE(",
    "JSON_OBJECT(",
    ":",
    "TRIM(",
    "EXTRACT(YEAR ",
    "count(*)",
    "ROW ",
    "ROLLUP(",
    "GROUPING SETS (",
    "WINDOW ",
    "IF ",
};

static void token_soup(void **state) {
    uint64_t seed = 20240117;
    Arena *arena = arena_new(NULL);
    uint32_t accepted = 0;
    for (uint32_t round = 0; round < 60000; round++) {
        Buf out;
        buf_init(&out, arena, 1u << 16);
        if (round % 2) buf_text(&out, "SELECT ");
        uint32_t count = 1 + (uint32_t)(test_random(&seed) % 24);
        for (uint32_t i = 0; i < count; i++) {
            const char *piece = pieces[test_random(&seed) % COUNT_OF(pieces)];
            buf_add(&out, piece, piece[0] ? strlen(piece) : 1);
        }
        AstStatement *statement;
        Error err = {0};
        Status status = sql_parse(arena, buf_view(&out), &statement, &err);
        if (status == TRIB_OK) {
            Str printed = sql_printed(arena, statement);
            AstStatement *again = sql_must_parse(arena, printed);
            if (!str_equal(sql_dump(arena, statement), sql_dump(arena, again))) {
                fail_msg("%s\n  %s", out.data, printed.data);
            }
            accepted++;
        } else {
            assert_int_equal(err.status, status);
            assert_true(err.message[0] && utf8_valid(err.message, strlen(err.message)));
            assert_true(err.line >= 1 && err.column >= 1);
        }
        arena_reset(arena);
    }
    assert_true(accepted > 200);
    arena_free(arena);
}

static void random_bytes(void **state) {
    uint64_t seed = 7;
    Arena *arena = arena_new(NULL);
    static const char sample[] =
        "WITH a (b) AS (SELECT 'x', {fn f(\"y\", 1.5e3)} FROM t u JOIN v ON a[1] = -?) SELECT "
        "CASE WHEN a IN (1, 2) THEN DATE '2024-01-01' END || c FROM a GROUP BY 1 LIMIT 3 -- z";
    for (uint32_t round = 0; round < 60000; round++) {
        char text[sizeof sample];
        memcpy(text, sample, sizeof sample);
        uint32_t changes = 1 + (uint32_t)(test_random(&seed) % 6);
        for (uint32_t i = 0; i < changes; i++) {
            text[test_random(&seed) % (sizeof sample - 1)] = (char)test_random(&seed);
        }
        size_t from = test_random(&seed) % 8 == 0 ? test_random(&seed) % sizeof sample : 0;
        AstStatement *statement;
        Error err = {0};
        Status status =
            sql_parse(arena, (Str){text + from, sizeof sample - 1 - from}, &statement, &err);
        if (status == TRIB_OK)
            sql_printed(arena, statement);
        else
            assert_true(err.message[0] != '\0');
        size_t at = 0;
        Str part;
        while (sql_split((Str){text, sizeof sample - 1}, &at, &part)) assert_true(part.len > 0);
        arena_reset(arena);
    }
    arena_free(arena);
}

/* ---------------------------------------------------------------- failing allocations */

static void allocations_fail(void **state) {
    Arena *text_arena = arena_new(NULL);
    Str text = repeated(text_arena, "SELECT f(a, 'it''s', U&'\\0041')",
                        ", \"a\"\"b\" || 'x' || CAST(1 AS row(a int))", 200,
                        " FROM (SELECT 1) t JOIN u ON a = 0xFF WHERE -x IN (1, -2)", "", "");
    bool failed = true;
    for (uint64_t n = 1; failed; n++) {
        Arena *arena = arena_new(NULL);
        AstStatement *statement;
        Error err = {0};
        heap_fail_at(n);
        Status status = sql_parse(arena, text, &statement, &err);
        heap_fail_at(0);
        failed = status != TRIB_OK;
        if (failed) assert_int_equal(status, TRIB_MEMORY);
        if (failed) assert_string_equal(err.sqlstate, "HY001");
        arena_free(arena);
        assert_true(n < 10000);
    }
    arena_free(text_arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting),          cmocka_unit_test(exact_depth),
        cmocka_unit_test(never_closed),     cmocka_unit_test(chains),
        cmocka_unit_test(counts),           cmocka_unit_test(sizes),
        cmocka_unit_test(token_soup),       cmocka_unit_test(random_bytes),
        cmocka_unit_test(allocations_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
