/*
 * test_types.c - spelling, coercion and casts of types; literal values.
 */
#include "tests/unit/eval_support.h"

static const char *spelled(Type t) {
    Buf out;
    buf_init(&out, arena, 10000);
    type_print(&out, t);
    return out.data;
}

static void test_spelling(void **state) {
    static const char *const pairs[][2] = {
        {"INT", "integer"},
        {" bigint ", "bigint"},
        {"decimal", "decimal(38,0)"},
        {"DECIMAL(10, 2)", "decimal(10,2)"},
        {"numeric(5)", "decimal(5,0)"},
        {"varchar", "varchar"},
        {"VARCHAR(10)", "varchar(10)"},
        {"string", "varchar"},
        {"character varying(3)", "varchar(3)"},
        {"char", "char(1)"},
        {"char(7)", "char(7)"},
        {"double precision", "double"},
        {"float(53)", "double"},
        {"float(24)", "real"},
        {"time", "time(3)"},
        {"timestamp", "timestamp(3)"},
        {"timestamp(9)", "timestamp(9)"},
        {"timestamp without time zone", "timestamp(3)"},
        {"timestamp(6) with time zone", "timestamp(6) with time zone"},
        {"time(0) with time zone", "time(0) with time zone"},
        {"timestamptz", "timestamp(3) with time zone"},
        {"interval day to second", "interval day to second"},
        {"interval year to month", "interval year to month"},
        {"uuid", "uuid"},
        {"json", "json"},
        {"array(varchar(5))", "array(varchar(5))"},
        {"array<int>", "array(integer)"},
        {"map(varchar, array(decimal(3,1)))", "map(varchar, array(decimal(3,1)))"},
        {"row(a integer, \"B c\" varchar)", "row(a integer, \"B c\" varchar)"},
        {"row(integer, double precision)", "row(integer, double)"},
        {"struct<a:int,b:array<string>>", "row(a integer, b array(varchar))"},
        {"row(x timestamp with time zone)", "row(x timestamp(3) with time zone)"},
        {"row(interval day to second)", "row(interval day to second)"},
        {"varbinary", "varbinary"},
        {"unknown", "unknown"},
    };
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        Type t = typ(pairs[i][0]);
        assert_string_equal(spelled(t), pairs[i][1]);
        assert_true(type_equal(t, typ(pairs[i][1]))); /* reads what it prints */
    }
}

static void assert_bad(const char *text, const char *sqlstate) {
    Type t;
    assert_int_not_equal(type_parse(arena, str_from(text), &t, &error), TRIB_OK);
    assert_string_equal(error.sqlstate, sqlstate);
}

static void test_bad_spelling(void **state) {
    assert_bad("", "42000");
    assert_bad("integr", "42000");
    assert_bad("decimal(39,0)", "HY104");
    assert_bad("decimal(5,6)", "HY104");
    assert_bad("varchar(0)", "HY104");
    assert_bad("varchar(99999999999999999999)", "HY104");
    assert_bad("timestamp(10)", "HY104");
    assert_bad("array(integer", "42000");
    assert_bad("integer integer", "42000");
    assert_bad("interval day", "42000");
    assert_bad("row()", "42000");
    Buf deep;
    buf_init(&deep, arena, 100000);
    for (int i = 0; i < 1000; i++) buf_text(&deep, "array(");
    assert_bad(deep.data, "54000");
}

static void test_coercion(void **state) {
    static const struct {
        const char *from, *to;
        bool coerces;
    } cases[] = {
        {"tinyint", "bigint", true},
        {"bigint", "integer", false},
        {"bigint", "decimal(19,0)", true},
        {"bigint", "decimal(18,0)", false},
        {"integer", "decimal(12,2)", true},
        {"integer", "decimal(11,2)", false},
        {"decimal(10,2)", "double", true},
        {"double", "decimal(38,0)", false},
        {"real", "double", true},
        {"double", "real", false},
        {"decimal(10,2)", "decimal(11,3)", true},
        {"decimal(10,2)", "decimal(10,3)", false},
        {"varchar(5)", "varchar(9)", true},
        {"varchar(5)", "varchar", true},
        {"varchar", "varchar(5)", false},
        {"varchar(5)", "char(5)", true},
        {"char(5)", "varchar", true},
        {"char(5)", "char(4)", false},
        {"date", "timestamp(6)", true},
        {"timestamp(6)", "timestamp(3)", false},
        {"timestamp(3)", "timestamp(3) with time zone", true},
        {"time(3)", "timestamp(3)", false},
        {"unknown", "json", true},
        {"varchar", "date", false},
        {"boolean", "integer", false},
        {"array(integer)", "array(bigint)", true},
        {"array(varchar)", "array(integer)", false},
        {"map(integer, date)", "map(bigint, timestamp(3))", true},
        {"row(a integer)", "row(b bigint)", true},
        {"row(integer)", "row(integer, integer)", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (type_coercible(typ(cases[i].from), typ(cases[i].to)) != cases[i].coerces) {
            fail_msg("%s -> %s", cases[i].from, cases[i].to);
        }
    }
}

static void test_common(void **state) {
    static const char *const cases[][3] = {
        {"integer", "bigint", "bigint"},
        {"integer", "decimal(5,2)", "decimal(12,2)"},
        {"decimal(38,0)", "decimal(5,5)", "decimal(38,5)"},
        {"bigint", "real", "real"},
        {"decimal(5,2)", "double", "double"},
        {"varchar(3)", "varchar(5)", "varchar(5)"},
        {"varchar(3)", "varchar", "varchar"},
        {"char(3)", "varchar(5)", "char(5)"},
        {"char(3)", "varchar", "char(65536)"},
        {"date", "timestamp(6)", "timestamp(6)"},
        {"timestamp(9)", "timestamp(3) with time zone", "timestamp(9) with time zone"},
        {"unknown", "date", "date"},
        {"date", "unknown", "date"},
        {"date", "varchar", NULL},
        {"time(3)", "date", NULL},
        {"boolean", "integer", NULL},
        {"array(integer)", "array(decimal(3,1))", "array(decimal(11,1))"},
        {"row(a integer, b date)", "row(a bigint, c date)", "row(a bigint, date)"},
        {"array(integer)", "array(date)", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Type common;
        bool found = type_common(arena, typ(cases[i][0]), typ(cases[i][1]), &common);
        if (found != (cases[i][2] != NULL)) fail_msg("%s, %s", cases[i][0], cases[i][1]);
        if (found) assert_string_equal(spelled(common), cases[i][2]);
    }
}

/* Where every value of a type casts to another and back, a cast that "cannot raise" never does. */
static void test_cast_promises(void **state) {
    static const char *const extremes[][2] = {
        {"tinyint", "-128"},
        {"smallint", "32767"},
        {"integer", "-2147483648"},
        {"bigint", "-9223372036854775808"},
        {"decimal(5,2)", "-999.99"},
        {"decimal(38,0)", "99999999999999999999999999999999999999"},
        {"boolean", "false"},
        {"decimal(38,38)", "-0.99999999999999999999999999999999999999"},
        {"uuid", "12345678-9abc-def0-1234-56789abcdef0"},
        {"date", "-9999-01-01"},
        {"timestamp(9)", "9999-12-31 23:59:59.999999999"},
        {"double", "-1.7976931348623157E308"},
        {"real", "3.4028235E38"},
        {"varchar", "some text"},
        {"char(3)", "abc"},
    };
    static const char *const targets[] = {
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "decimal(3,0)",
        "decimal(4,0)",
        "decimal(5,0)",
        "decimal(6,2)",
        "decimal(10,0)",
        "decimal(19,0)",
        "decimal(20,1)",
        "decimal(38,19)",
        "varchar",
        "varchar(1)",
        "varchar(5)",
        "varchar(11)",
        "varchar(20)",
        "varchar(41)",
        "char(7)",
        "date",
        "timestamp(0)",
        "timestamp(6)",
        "timestamp(3) with time zone",
        "time(3)",
        "json",
        "uuid",
        "varbinary",
        "interval day to second",
    };
    for (size_t f = 0; f < COUNT_OF(extremes); f++) {
        Value from = val(extremes[f][0], extremes[f][1]);
        for (size_t t = 0; t < COUNT_OF(targets); t++) {
            Value to;
            Type target = typ(targets[t]);
            if (!type_castable(from.type, target)) continue;
            Status status = value_cast(arena, &session, &from, target, &to, &error);
            if (status != TRIB_OK && !type_cast_may_raise(from.type, target)) {
                fail_msg("%s -> %s: %s", extremes[f][0], targets[t], error.message);
            }
            if (!type_coercible(from.type, target)) continue;
            if (from.type.id == TRIB_TYPE_CHAR) continue; /* cut or padded, never an error */
            ok(status);
        }
    }
}

/* ---------------------------------------------------------------- literal values */

static void assert_printed(Value value, const char *literal, const char *text) {
    Buf a, b;
    buf_init(&a, arena, 100000);
    buf_init(&b, arena, 100000);
    value_print(&a, &value);
    value_text(&b, &value);
    assert_string_equal(buf_view(&a).data, literal);
    assert_string_equal(buf_view(&b).data, text);
}

static Value list_of(const char *type, uint32_t count, const Value *items) {
    return (Value){.type = typ(type), .as.items = {items, count}};
}

static void test_print(void **state) {
    assert_printed(val("integer", "-5"), "-5", "-5");
    assert_printed(val("decimal(5,2)", "1.5"), "1.50", "1.50");
    assert_printed(val("double", "1.5"), "1.5E0", "1.5");
    assert_printed(val("double", "NaN"), "DOUBLE 'NaN'", "NaN");
    assert_printed(val("varchar", "it's"), "'it''s'", "it's");
    assert_printed(val("char(4)", "ab"), "'ab'", "ab  ");
    assert_printed(val("date", "2024-01-05"), "DATE '2024-01-05'", "2024-01-05");
    assert_printed(val("timestamp(0)", "2024-01-05 01:02:03"), "TIMESTAMP '2024-01-05 01:02:03'",
                   "2024-01-05 01:02:03");
    assert_printed(val("interval year to month", "-1-2"), "INTERVAL '-1-2' YEAR TO MONTH", "-1-2");
    assert_printed(val("boolean", "true"), "true", "true");
    assert_printed(val("bigint", NULL), "NULL", "NULL");
    Value items[] = {val("varchar", "a\"b"), val("varchar", NULL)};
    assert_printed(list_of("array(varchar)", 2, items), "ARRAY['a\"b', NULL]", "[\"a\\\"b\",null]");
    Value pairs[] = {val("integer", "1"), val("double", "0.5"), val("integer", "2"),
                     val("double", "NaN")};
    assert_printed(list_of("map(integer, double)", 4, pairs),
                   "MAP(ARRAY[1, 2], ARRAY[0.5E0, DOUBLE 'NaN'])", "{\"1\":0.5,\"2\":\"NaN\"}");
    Value fields[] = {val("integer", "1"), val("date", "2024-01-01")};
    assert_printed(list_of("row(a integer, b date)", 2, fields), "ROW(1, DATE '2024-01-01')",
                   "{\"a\":1,\"b\":\"2024-01-01\"}");
    assert_printed(list_of("row(integer, date)", 2, fields), "ROW(1, DATE '2024-01-01')",
                   "[1,\"2024-01-01\"]");
    Buf longer, out;
    buf_init(&longer, arena, 10000);
    buf_init(&out, arena, 10000);
    for (int i = 0; i < 300; i++) buf_text(&longer, "\u00e9");
    Value text = text_value(longer.data);
    value_print(&out, &text);
    assert_int_equal(out.len, 1 + 200 + 4);
    assert_true(utf8_valid(out.data, out.len));
}

static void test_value_order(void **state) {
    static const char *const ascending[][3] = {
        {"integer", "-1", "1"},
        {"double", "Infinity", "NaN"},
        {"varchar", "a", "ab"},
        {"varchar", "Z", "a"},
        {"decimal(38,0)", "-1", "99999999999999999999999999999999999999"},
        {"timestamp(9)", "2024-01-01 00:00:00.000000001", "2024-01-01 00:00:00.000000002"},
        {"timestamp(3) with time zone", "2024-01-01 00:00:00 Asia/Tokyo",
         "2024-01-01 00:00:00 UTC"},
        {"time(3) with time zone", "10:00:00+02:00", "09:00:00+00:00"},
        {"uuid", "00000000-0000-0000-0000-000000000000", "12345678-9abc-def0-1234-56789abcdef0"},
    };
    for (size_t i = 0; i < COUNT_OF(ascending); i++) {
        Value a = val(ascending[i][0], ascending[i][1]), b = val(ascending[i][0], ascending[i][2]);
        Value copy;
        assert_int_equal(value_compare(&a, &b), -1);
        assert_int_equal(value_compare(&b, &a), 1);
        assert_int_equal(value_compare(&a, &a), 0);
        assert_false(value_equal(&a, &b));
        ok(value_copy(arena, &b, &copy, &error));
        assert_true(value_equal(&copy, &b));
    }
    Value nan = val("double", "NaN"), null = val("double", NULL);
    assert_true(value_equal(&nan, &nan));
    assert_false(value_equal(&nan, &null));
    assert_true(value_equal(&null, &null));
    Value x[] = {val("integer", "1"), val("integer", "2"), val("integer", "3"),
                 val("integer", "4")};
    Value y[] = {x[2], x[3], x[0], x[1]};
    Value m = list_of("map(integer, integer)", 4, x), n = list_of("map(integer, integer)", 4, y);
    assert_true(value_equal(&m, &n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_spelling, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_bad_spelling, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_coercion, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_common, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_cast_promises, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_print, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_value_order, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
