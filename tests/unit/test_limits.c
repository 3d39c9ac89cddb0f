/*
 * test_limits.c - the documented limits of statements: what is at the limit works, one more is a clean error
 * with 54000, and the statement and its session are usable afterwards.
 */
#include "config.h"

#include "engine/sql/ast.h"
#include "tests/unit/runtime_harness.h"

static Session *session;

static int open_tables(void **state) {
    session = open_session("", "\"mem\": {\"type\": \"memory\"}");
    return 0;
}

static int close_tables(void **state) {
    session_close(session);
    return 0;
}

typedef void (*Builder)(Buf *out, uint32_t n);

static void repeat(Buf *out, const char *text, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) buf_text(out, text);
}

/* The statement of size n gives one row whose first column is `value`. */
static void works(Statement *statement, Builder build, uint32_t n, int64_t value) {
    Buf sql;
    Error err;
    uint64_t rows = 0;
    int64_t sum = 0;
    buf_init(&sql, NULL, (size_t)8 << 20);
    build(&sql, n);
    Status status = statement_prepare(statement, buf_view(&sql), &err);
    if (status == TRIB_OK) status = statement_execute(statement, &err);
    if (status == TRIB_OK) status = read_rows(statement, UINT64_MAX, &rows, &sum, &err);
    if (status != TRIB_OK)
        fail_msg("size %u: %s at %u:%u (%.60s)", n, err.message, err.line, err.column, sql.data);
    assert_int_equal(rows, 1);
    assert_int_equal(sum, value);
    buf_clear(&sql);
}

static void refused(Statement *statement, Builder build, uint32_t n) {
    Buf sql;
    Error err;
    buf_init(&sql, NULL, (size_t)8 << 20);
    build(&sql, n);
    Status status = statement_prepare(statement, buf_view(&sql), &err);
    if (status == TRIB_OK) fail_msg("size %u was not refused (%.60s)", n, sql.data);
    if (strcmp(err.sqlstate, "54000") != 0)
        fail_msg("size %u: %s %s", n, err.sqlstate, err.message);
    buf_clear(&sql);
}

static void one(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1");
}

/* At the limit, one more, and then something plain with the same handle. */
static void check_limit(Builder build, uint32_t limit, int64_t value) {
    Statement *statement = open_statement(session);
    works(statement, build, limit, value);
    refused(statement, build, limit + 1);
    works(statement, one, 0, 1);
    statement_free(statement);
}

/* ---------------------------------------------------------------- nesting */

static void parentheses(Buf *out, uint32_t n) {
    buf_text(out, "SELECT ");
    repeat(out, "(", n);
    buf_char(out, '1');
    repeat(out, ")", n);
}

static void calls(Buf *out, uint32_t n) {
    buf_text(out, "SELECT ");
    repeat(out, "abs(", n);
    buf_text(out, "-1");
    repeat(out, ")", n);
}

static void cases(Buf *out, uint32_t n) {
    buf_text(out, "SELECT ");
    repeat(out, "CASE WHEN true THEN ", n);
    buf_char(out, '1');
    repeat(out, " END", n);
}

static void casts(Buf *out, uint32_t n) {
    buf_text(out, "SELECT ");
    repeat(out, "CAST(", n);
    buf_char(out, '1');
    repeat(out, " AS bigint)", n);
}

static void scalar_queries(Buf *out, uint32_t n) {
    buf_text(out, "SELECT ");
    repeat(out, "(SELECT ", n);
    buf_char(out, '1');
    repeat(out, ")", n);
}

static void derived_tables(Buf *out, uint32_t n) {
    repeat(out, "SELECT x FROM (", n);
    buf_text(out, "SELECT 1 AS x");
    repeat(out, ")", n);
}

static void test_nesting(void **state) {
    static const Builder builders[] = {parentheses, calls,          cases,
                                       casts,       scalar_queries, derived_tables};
    for (size_t i = 0; i < COUNT_OF(builders); i++) check_limit(builders[i], SQL_MAX_DEPTH, 1);
}

/* Chains are trees as high as they are long. */
static void additions(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1");
    repeat(out, " - 0", n);
}

static void negations(Buf *out, uint32_t n) {
    buf_text(out, "SELECT CASE WHEN ");
    repeat(out, "NOT ", n);
    buf_text(out, "false THEN 1 ELSE 1 END");
}

static void test_chains(void **state) {
    check_limit(additions, SQL_MAX_HEIGHT, 1);
    Statement *statement = open_statement(session);
    works(statement, negations, SQL_MAX_DEPTH - 2, 1);
    refused(statement, negations, SQL_MAX_HEIGHT + 1);
    works(statement, one, 0, 1);
    statement_free(statement);
}

/* What is no nesting may be long. */
static void conjunction(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1 WHERE true");
    repeat(out, " AND 1 < 2", n);
}

static void candidates(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1 WHERE 7 NOT IN (0");
    for (uint32_t i = 1; i < n; i++) buf_printf(out, ", %u", i + 10);
    buf_char(out, ')');
}

static void unions(Buf *out, uint32_t n) {
    buf_text(out, "SELECT sum(x) FROM (SELECT 1 AS x");
    repeat(out, " UNION ALL SELECT 0", n);
    buf_char(out, ')');
}

static void comment(Buf *out, uint32_t n) {
    buf_text(out, "SELECT /* ");
    repeat(out, "((((((((", n);
    buf_text(out, "*/ 1");
}

static void test_long(void **state) {
    Statement *statement = open_statement(session);
    works(statement, conjunction, 20000, 1);
    works(statement, candidates, 50000, 1);
    works(statement, unions, 400, 1);
    works(statement, comment, 100000, 1);
    statement_free(statement);
}

/* ---------------------------------------------------------------- size, columns, parameters */

static void text(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1, '");
    while (out->len < n - 1) buf_char(out, 'x');
    buf_char(out, '\'');
}

static void test_size(void **state) {
    check_limit(text, SQL_MAX_TEXT, 1);
}

static void columns(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1");
    repeat(out, ", 2", n - 1);
}

static void wide_values(Buf *out, uint32_t n) {
    buf_text(out, "VALUES (1");
    repeat(out, ", 2", n - 1);
    buf_char(out, ')');
}

static void test_columns(void **state) {
    check_limit(columns, SQL_MAX_COLUMNS, 1);
    check_limit(wide_values, SQL_MAX_COLUMNS, 1);
}

static void parameters(Buf *out, uint32_t n) {
    buf_text(out, "SELECT 1 WHERE 1 IN (?");
    repeat(out, ", ?", n - 1);
    buf_char(out, ')');
}

static void test_parameters(void **state) {
    Statement *statement = open_statement(session);
    Buf sql;
    Error err;
    uint64_t rows;
    int64_t sum;
    buf_init(&sql, NULL, (size_t)1 << 20);
    parameters(&sql, SQL_MAX_PARAMETERS);
    assert_int_equal(statement_prepare(statement, buf_view(&sql), &err), TRIB_OK);
    assert_int_equal(statement_parameter_count(statement), SQL_MAX_PARAMETERS);
    for (uint32_t i = 0; i < SQL_MAX_PARAMETERS; i++) {
        Value value = {.type = {.id = TRIB_TYPE_BIGINT}};
        value.as.integer = i + 1 == SQL_MAX_PARAMETERS ? 1 : 1000 + i;
        assert_int_equal(statement_bind(statement, i, &value, &err), TRIB_OK);
    }
    if (statement_execute(statement, &err)) fail_msg("%s", err.message);
    assert_int_equal(read_rows(statement, UINT64_MAX, &rows, &sum, &err), TRIB_OK);
    assert_int_equal(rows, 1);
    buf_clear(&sql);
    refused(statement, parameters, SQL_MAX_PARAMETERS + 1);
    works(statement, one, 0, 1);
    statement_free(statement);
}

/* ---------------------------------------------------------------- memory */

#define MANY(n)  "UNNEST(sequence(1, " #n ")) "
#define MILLIONS MANY(10000) "a(x) CROSS JOIN " MANY(1500) "b(x)"

/* As one array, as a map of a group, as texts and arrays of a batch, in a window. */
static const char *const too_large[] = {
    ("SELECT cardinality(array_agg(a.x * 10000 + b.x)) FROM " MILLIONS),
    ("SELECT max(cardinality(m)) FROM (SELECT map_agg(a.x * 10000 + b.x, b.x) AS m FROM " MILLIONS
     " GROUP BY a.x % 1)"),
    ("SELECT sum(length(rpad('', 200000 + n, 'a'))) FROM " MANY(2000) "s(n)"),
    ("SELECT sum(cardinality(split(rpad('', 20000 + n, 'a,'), ','))) FROM " MANY(2000) "s(n)"),
    ("SELECT sum(cardinality(transform(sequence(1, 10000), x -> x + n))) FROM " MANY(2000) "s(n)"),
    ("SELECT sum(cardinality(c)) FROM (SELECT array_agg(x) OVER (ORDER BY x) AS c FROM " MANY(
        10000) "s(x))"),
};

static Status ask(Statement *statement, const char *sql, uint64_t *rows, int64_t *sum, Error *err) {
    *rows = 0;
    *sum = 0;
    TRY(statement_prepare(statement, str_from(sql), err));
    TRY(statement_execute(statement, err));
    return read_rows(statement, UINT64_MAX, rows, sum, err);
}

static Session *small_session(void) {
    return open_session(", \"memory_limit\": \"32MB\", \"threads\": 2",
                        "\"mem\": {\"type\": \"memory\"}");
}

/* What cannot be spilled ends with HY001 before the machine's memory does, and the session goes on. */
static void test_memory(void **state) {
    Session *small = small_session();
    Statement *statement = open_statement(small);
    for (size_t i = 0; i < COUNT_OF(too_large); i++) {
        Error err;
        uint64_t rows;
        int64_t sum;
        if (ask(statement, too_large[i], &rows, &sum, &err) == TRIB_OK)
            fail_msg("%.60s: within the limit", too_large[i]);
        if (strcmp(err.sqlstate, "HY001") != 0 || !strstr(err.message, "memory limit"))
            fail_msg("%.60s: %s %s", too_large[i], err.sqlstate, err.message);
        works(statement, one, 0, 1);
    }
    statement_free(statement);
    session_close(small);
}

/* Long values pass, and so does what is long but goes by in batches. */
static void test_room(void **state) {
    static const char *const fits[] = {
        ("SELECT length(rpad('', 30000000 + n, 'a')) - 30000000 FROM " MANY(1) "s(n)"),
        ("SELECT max(cardinality(split(rpad('', 200000 + n - n, 'a,'), ','))) - 100000 FROM " MANY(
            8) "s(n)"),
        ("SELECT sum(length(rpad('', 5000 + n - n, 'a'))) - 49999999 FROM " MANY(10000) "s(n)"),
        ("SELECT cardinality(array_agg(n)) - 9999 FROM " MANY(10000) "s(n)"),
    };
    Session *small = small_session();
    Statement *statement = open_statement(small);
    for (size_t i = 0; i < COUNT_OF(fits); i++) {
        Error err;
        uint64_t rows;
        int64_t sum;
        if (ask(statement, fits[i], &rows, &sum, &err) != TRIB_OK)
            fail_msg("%.60s: %s", fits[i], err.message);
        assert_int_equal(rows, 1);
        assert_int_equal(sum, 1);
    }
    statement_free(statement);
    session_close(small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nesting), cmocka_unit_test(test_chains),
        cmocka_unit_test(test_long),    cmocka_unit_test(test_size),
        cmocka_unit_test(test_columns), cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_memory),  cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, open_tables, close_tables);
}
