/*
 * test_explain.c - EXPLAIN (FORMAT JSON): one value that is JSON, with the documented members everywhere.
 */
#include "config.h"

#include "engine/base/json.h"
#include "tests/unit/runtime_harness.h"

static Session *session;

static int open_tables(void **state) {
    session = open_session("", "\"mem\": {\"type\": \"memory\"}");
    Statement *statement = open_statement(session);
    Error err;
    if (start_query(statement,
                    "CREATE TABLE mem.default.\"a \"\" b\" AS SELECT 1 AS id, 'x' AS \"q\\\"",
                    &err)) {
        fail_msg("%s", err.message);
    }
    if (start_query(statement, "USE mem.default", &err)) fail_msg("%s", err.message);
    statement_free(statement);
    return 0;
}

static int close_tables(void **state) {
    session_close(session);
    return 0;
}

/* The only value of the statement, parsed. */
static JsonValue *document(Arena *arena, const char *sql) {
    Statement *statement = open_statement(session);
    const BatchView *batch;
    JsonValue *value;
    Error err;
    if (start_query(statement, sql, &err)) fail_msg("%s: %s", sql, err.message);
    assert_int_equal(statement_column_count(statement), 1);
    assert_int_equal(statement_fetch(statement, &batch, &err), TRIB_OK);
    assert_int_equal(batch->rows, 1);
    const StrView *view = (const StrView *)batch->columns[0].data;
    char *copy = str_dup(arena, strview_str(view));
    if (json_parse(arena, str_from(copy), false, &value, &err)) {
        fail_msg("%s: %s at %u:%u in %s", sql, err.message, err.line, err.column, copy);
    }
    assert_int_equal(statement_fetch(statement, &batch, &err), TRIB_OK);
    assert_int_equal(batch->rows, 0);
    statement_free(statement);
    return value;
}

static const JsonValue *member(const JsonValue *object, const char *key, JsonToken kind) {
    const JsonValue *value = json_member(object, str_from(key));
    if (!value) fail_msg("there is no member %s", key);
    assert_int_equal(value->kind, kind);
    return value;
}

/* A node of a plan and what is below it; returns the number of nodes. */
static uint32_t check_node(const JsonValue *node, bool counted) {
    uint32_t n = 1;
    assert_int_equal(node->kind, JSON_OBJECT_BEGIN);
    assert_true(member(node, "id", JSON_STRING)->text.len > 0);
    assert_true(member(node, "name", JSON_STRING)->text.len > 0);
    (void)member(node, "details", JSON_ARRAY_BEGIN);
    const JsonValue *outputs = member(node, "outputs", JSON_ARRAY_BEGIN);
    for (const JsonValue *o = outputs->first; o; o = o->next) {
        (void)member(o, "name", JSON_STRING);
        assert_true(member(o, "type", JSON_STRING)->text.len > 0);
    }
    assert_non_null(
        json_member(member(node, "estimates", JSON_ARRAY_BEGIN)->first, STR("outputRowCount")));
    if (counted) (void)member(member(node, "counters", JSON_OBJECT_BEGIN), "rows", JSON_NUMBER);
    const JsonValue *children = member(node, "children", JSON_ARRAY_BEGIN);
    for (const JsonValue *c = children->first; c; c = c->next) n += check_node(c, counted);
    return n;
}

static void test_plans(void **state) {
    static const char *const queries[] = {
        "SELECT id + 1, \"q\\\" || '\"\\' FROM \"a \"\" b\" WHERE id > 0 ORDER BY 1 LIMIT 3",
        "SELECT count(*), sum(id) FROM \"a \"\" b\" a JOIN \"a \"\" b\" b USING (id) GROUP BY id",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT DISTINCT id FROM \"a \"\" b\"",
        "VALUES 1, 2",
        "INSERT INTO \"a \"\" b\" SELECT 2, 'y' WHERE false",
    };
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        Arena *arena = arena_new(NULL);
        const char *sql = arena_printf(arena, "EXPLAIN (FORMAT JSON) %s", queries[i]);
        assert_true(check_node(document(arena, sql), false) >= 1);
        sql = arena_printf(arena, "EXPLAIN (TYPE LOGICAL, FORMAT JSON) %s", queries[i]);
        assert_true(check_node(document(arena, sql), false) >= 1);
        sql = arena_printf(arena, "EXPLAIN (FORMAT JSON) ANALYZE %s", queries[i]);
        assert_true(check_node(document(arena, sql), true) >= 1);
        arena_free(arena);
    }
}

static void test_remote(void **state) {
    Arena *arena = arena_new(NULL);
    const JsonValue *all = document(
        arena,
        "EXPLAIN (TYPE REMOTE, FORMAT JSON) SELECT * FROM \"a \"\" b\" WHERE id = 1 LIMIT 1");
    const JsonValue *source = member(all, "sources", JSON_ARRAY_BEGIN)->first;
    assert_non_null(source);
    assert_true(str_equal(member(source, "catalog", JSON_STRING)->text, STR("mem")));
    assert_true(str_equal(member(source, "table", JSON_STRING)->text, STR("a \" b")));
    const JsonValue *conjunct = member(source, "conjuncts", JSON_ARRAY_BEGIN)->first;
    (void)member(conjunct, "verdict", JSON_STRING);
    (void)member(conjunct, "expression", JSON_STRING);
    all = document(arena, "EXPLAIN (TYPE REMOTE, FORMAT JSON) SELECT 1");
    assert_null(member(all, "sources", JSON_ARRAY_BEGIN)->first);
    arena_free(arena);
}

static void test_io(void **state) {
    Arena *arena = arena_new(NULL);
    const JsonValue *all = document(
        arena, "EXPLAIN (TYPE IO) INSERT INTO \"a \"\" b\" SELECT id, 'z' FROM \"a \"\" b\"");
    const JsonValue *input = member(all, "inputTableColumnInfos", JSON_ARRAY_BEGIN)->first;
    (void)member(member(input, "table", JSON_OBJECT_BEGIN), "catalog", JSON_STRING);
    const JsonValue *column = member(input, "columns", JSON_ARRAY_BEGIN)->first;
    assert_true(str_equal(column->text, STR("id")));
    assert_null(column->next);
    (void)member(all, "outputTable", JSON_OBJECT_BEGIN);
    arena_free(arena);
}

static void test_no_plan(void **state) {
    Arena *arena = arena_new(NULL);
    assert_int_equal(document(arena, "EXPLAIN (FORMAT JSON) SHOW CATALOGS")->kind,
                     JSON_OBJECT_BEGIN);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_remote),
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_no_plan),
    };
    return cmocka_run_group_tests(tests, open_tables, close_tables);
}
