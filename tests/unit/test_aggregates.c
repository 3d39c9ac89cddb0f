/*
 * test_aggregates.c - aggregates: expected results; and for every overload the same result from one
 * state, from groups, from halves that are combined, from states that were written out and read back.
 */
#include "tests/unit/eval_support.h"
#include "tests/unit/test_base.h"

#define ROWS   240
#define GROUPS 7

static ResolvedAggregate resolve(const char *name, const char *type) {
    ResolvedAggregate r;
    Type args[1] = {{0}};
    if (type != NULL) args[0] = typ(type);
    ok(aggregate_resolve(arena, str_from(name), type != NULL, args, &r, &error));
    return r;
}

static void *state_new(const ResolvedAggregate *r) {
    void *state = arena_alloc(arena, r->aggregate->state_size);
    assert_int_equal(r->aggregate->state_size % 8, 0);
    r->aggregate->init(state, r->args, r->result);
    return state;
}

static const char *finish(const ResolvedAggregate *r, void *state) {
    Vector result;
    Value value;
    uint8_t *states[] = {state};
    ok(vector_new(arena, r->result, 1, &result, &error));
    Status status = r->aggregate->finish(r->aggregate, states, 0, 1, &result, arena, &error);
    if (status != TRIB_OK) return arena_printf(arena, "!%s %s", error.sqlstate, error.message);
    ok(vector_value(arena, &result, 0, &value, &error));
    return text_of(&value);
}

static Status update(const ResolvedAggregate *r, const Vector *v, const uint16_t *selection,
                     uint32_t count, void *state) {
    const Aggregate *a = r->aggregate;
    uint32_t nargs = v != NULL;
    if (a->update_single != NULL) {
        return a->update_single(a, nargs, v, selection, count, state, arena, &error);
    }
    uint8_t **states = ARENA_ARRAY(arena, uint8_t *, count);
    for (uint32_t i = 0; i < count; i++) states[i] = state;
    return a->update(a, nargs, v, selection, count, states, 0, arena, &error);
}

static const char *aggregate(const char *name, const char *type, uint32_t count,
                             const char *const *values) {
    ResolvedAggregate r = resolve(name, type);
    Vector v = column(type, count, values);
    Expr *cast = expr_cast(arena, col(0, type), r.args[0], false);
    Evaluator *evaluator;
    Batch batch = batch_of(1, &v, count);
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&cast, &evaluator, &error));
    ok(evaluator_run(evaluator, 0, &batch, &v, &error));
    void *state = state_new(&r);
    Status status = update(&r, &v, NULL, count, state);
    if (status != TRIB_OK) return arena_printf(arena, "!%s %s", error.sqlstate, error.message);
    return finish(&r, state);
}

#define AGGREGATE(name, type, expected, ...)                                              \
    do {                                                                                  \
        const char *const values_[] = {__VA_ARGS__};                                      \
        assert_string_equal(aggregate(name, type, COUNT_OF(values_), values_), expected); \
    } while (0)

/* Sums of wide decimals leave 128 bits on the way and come back: the outcome is that of the true sum. */
#define NINES "99999999999999999999999999999999999999"
static void test_wide_sums(void **state) {
    AGGREGATE("sum", "decimal(38,0)", NINES, NINES, NINES, "-" NINES);
    AGGREGATE("sum", "decimal(38,0)", "-" NINES, "-" NINES, NINES, "-" NINES);
    AGGREGATE("sum", "decimal(38,0)", "0", NINES, NINES, NINES, "-" NINES, "-" NINES, "-" NINES);
    AGGREGATE("sum", "decimal(38,0)", "7", "-" NINES, "-" NINES, "-" NINES, NINES, NINES, NINES,
              "7");
    AGGREGATE("sum", "decimal(38,0)", "!22003 value out of range for decimal(38,0): sum", NINES,
              NINES);
    /* 7 x NINES is 2 x 2^128 + 19.4e36: what is left of it in 128 bits would fit */
    AGGREGATE("sum", "decimal(38,0)", "!22003 value out of range for decimal(38,0): sum", NINES,
              NINES, NINES, NINES, NINES, NINES, NINES);
    AGGREGATE("sum", "decimal(38,0)", "!22003 value out of range for decimal(38,0): sum", "-" NINES,
              "-" NINES, "-" NINES, "-" NINES, "-" NINES, "-" NINES, "-" NINES);
    AGGREGATE("avg", "decimal(38,0)", NINES, NINES, NINES, NINES, NINES, NINES, NINES, NINES);
    AGGREGATE("avg", "decimal(38,0)", "-" NINES, "-" NINES, "-" NINES, "-" NINES, "-" NINES);
    AGGREGATE("avg", "decimal(38,0)", "33333333333333333333333333333333333333", NINES, NINES,
              "-" NINES);
    AGGREGATE("avg", "decimal(38,2)", "-0.01", "-0.01", "-0.01", "-0.02");
}

/* The same from states that are combined in any order. */
static void test_wide_combined(void **state) {
    const char *const plus[] = {NINES, NINES, NINES, NINES, NINES, NINES};
    const char *const minus[] = {"-" NINES, "-" NINES, "-" NINES, "-" NINES, "-" NINES, "-" NINES};
    ResolvedAggregate r = resolve("sum", "decimal(38,0)");
    for (uint32_t n = 1; n <= 6; n++) {
        for (uint32_t back = 0; back < 2; back++) {
            Vector high = column("decimal(38,0)", n, plus), low = column("decimal(38,0)", n, minus);
            void *a = state_new(&r), *b = state_new(&r);
            ok(update(&r, &high, NULL, n, a));
            ok(update(&r, &low, NULL, n, b));
            ok(r.aggregate->combine(r.aggregate, back ? b : a, back ? a : b, arena, &error));
            assert_string_equal(finish(&r, back ? b : a), "0");
        }
    }
}

static void test_results(void **state) {
    AGGREGATE("count", "integer", "2", "1", NULL, "3");
    AGGREGATE("count", "integer", "0", NULL, NULL);
    AGGREGATE("sum", "integer", "4294967294", "2147483647", NULL, "2147483647");
    AGGREGATE("sum", "bigint", "!22003 value out of range for bigint: sum", "9223372036854775807",
              "1");
    AGGREGATE("sum", "bigint", "9223372036854775807", "9223372036854775807", "1", "-1");
    AGGREGATE("sum", "bigint", "NULL", NULL, NULL);
    AGGREGATE("sum", "decimal(10,2)", "3.75", "1.25", "2.50");
    AGGREGATE("sum", "decimal(38,0)", "!22003 value out of range for decimal(38,0): sum",
              "99999999999999999999999999999999999999", "1");
    AGGREGATE("sum", "double", "0.75", "0.5", "0.25");
    AGGREGATE("sum", "real", "0.75", "0.5", "0.25");
    AGGREGATE("sum", "interval day to second", "1 12:00:00.000", "1 00:00:00", "0 12:00:00");
    AGGREGATE("sum", "interval year to month", "2-0", "1-6", "0-6");
    AGGREGATE("avg", "integer", "1.5", "1", "2", NULL);
    AGGREGATE("avg", "decimal(10,2)", "296.65", "29.99", "799.96", "60.00");
    AGGREGATE("avg", "decimal(3,1)", "0.3", "0.2", "0.3");
    AGGREGATE("avg", "decimal(3,1)", "-0.3", "-0.2", "-0.3");
    AGGREGATE("avg", "decimal(38,2)", "2.50", "2.00", "3.00");
    AGGREGATE("avg", "real", "1.5", "1", "2");
    AGGREGATE("avg", "double", "NULL", NULL);
    AGGREGATE("min", "varchar", "a", "b", "a", NULL, "c");
    AGGREGATE("max", "varchar", "a much longer text than before", "a", "a long text, rather",
              "a much longer text than before", NULL);
    AGGREGATE("min", "double", "1.0", "NaN", "1", "2");
    AGGREGATE("max", "double", "2.0", "NaN", "1", "2");
    AGGREGATE("max", "double", "NaN", "NaN");
    AGGREGATE("min", "decimal(38,0)", "-5", "7", "-5");
    AGGREGATE("max", "timestamp(9)", "2024-01-01 00:00:00.000000002",
              "2024-01-01 00:00:00.000000002", "2024-01-01 00:00:00.000000001");
    AGGREGATE("min", "boolean", "false", "true", "false");
    AGGREGATE("max", "char(3)", "b  ", "a", "b");
    AGGREGATE("any_value", "date", "2024-01-01", NULL, "2024-01-01", NULL);
    AGGREGATE("arbitrary", "varchar", "NULL", NULL, NULL);
    AGGREGATE("count_if", "boolean", "2", "true", "false", NULL, "true");
    AGGREGATE("bool_and", "boolean", "false", "true", NULL, "false");
    AGGREGATE("every", "boolean", "true", "true", NULL);
    AGGREGATE("bool_or", "boolean", "NULL", NULL);
    AGGREGATE("stddev_pop", "integer", "2.0", "2", "4", "4", "4", "5", "5", "7", "9");
    AGGREGATE("var_samp", "double", "1.0", "1", "2", "3");
    AGGREGATE("variance", "double", "NULL", "1");
    AGGREGATE("stddev", "decimal(3,1)", "1.0", "1", "2", "3");
    AGGREGATE("var_pop", "double", "0.0", "1");
}

/* ---------------------------------------------------------------- every overload, every way */

static uint64_t seed = 4711;

static uint32_t draw(uint32_t bound) {
    return (uint32_t)(test_random(&seed) % bound);
}

static const char *const sample_types[] = {
    "boolean",
    "tinyint",
    "smallint",
    "integer",
    "bigint",
    "double",
    "real",
    "decimal(9,2)",
    "decimal(30,3)",
    "varchar",
    "char(5)",
    "varbinary",
    "date",
    "time(3)",
    "timestamp(3)",
    "timestamp(9)",
    "timestamp(3) with time zone",
    "interval year to month",
    "interval day to second",
    "uuid",
    "array(varchar)",
    "row(a integer, b array(double))",
};

static Value sample(Type type) {
    char text[80];
    int n = (int)draw(9) - 4;
    if (draw(6) == 0) return (Value){.type = type, .is_null = true};
    switch (type.id) {
    case TRIB_TYPE_ARRAY: {
        Value *items = ARENA_ARRAY(arena, Value, 2);
        items[0] = text_value(draw(2) ? "x" : "a longer element of it");
        items[1] = (Value){.type = items[0].type, .is_null = draw(2)};
        if (!items[1].is_null) items[1] = items[0];
        return (Value){.type = type, .as.items = {items, draw(3)}};
    }
    case TRIB_TYPE_ROW: {
        Value *items = ARENA_ARRAY(arena, Value, 2);
        Value *inner = ARENA_ARRAY(arena, Value, 1);
        inner[0] = (Value){.type = typ("double"), .as.real = n};
        items[0] = (Value){.type = typ("integer"), .as.integer = n, .is_null = draw(4) == 0};
        items[1] = (Value){.type = type.fields->field[1].type, .as.items = {inner, draw(2)}};
        return (Value){.type = type, .as.items = {items, 2}};
    }
    case TRIB_TYPE_BOOLEAN: snprintf(text, sizeof(text), "%s", n > 0 ? "true" : "false"); break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY: snprintf(text, sizeof(text), "%*s%d", (int)draw(20), "z", n); break;
    case TRIB_TYPE_DATE: snprintf(text, sizeof(text), "2024-01-%02d", n + 10); break;
    case TRIB_TYPE_TIME: snprintf(text, sizeof(text), "%02d:00:00", n + 10); break;
    case TRIB_TYPE_TIMESTAMP:
        snprintf(text, sizeof(text), "2024-01-%02d 00:00:00.00000000%d", n + 10, draw(9));
        break;
    case TRIB_TYPE_TIMESTAMP_TZ:
        snprintf(text, sizeof(text), "2024-01-%02d 00:00:00 %s", n + 10,
                 draw(2) ? "UTC" : "Asia/Tokyo");
        break;
    case TRIB_TYPE_INTERVAL_YM: snprintf(text, sizeof(text), "%d-1", n); break;
    case TRIB_TYPE_INTERVAL_DS: snprintf(text, sizeof(text), "%d 01:00:00", n); break;
    case TRIB_TYPE_UUID:
        snprintf(text, sizeof(text), "12345678-9abc-def0-1234-56789abcde%02d", n + 10);
        break;
    default: snprintf(text, sizeof(text), "%d", n);
    }
    Value from = text_value(arena_strdup(arena, text)), out;
    ok(value_cast(arena, &session, &from, type, &out, &error));
    return out;
}

/* The bytes of a state, written and read back into a fresh one. */
static void *round_trip(const ResolvedAggregate *r, void *state) {
    const Aggregate *a = r->aggregate;
    if (a->spillable_raw) return arena_copy(arena, state, a->state_size);
    void *fresh = state_new(r);
    uint64_t bytes = a->state_bytes(a, state);
    void *data = arena_alloc(arena, bytes);
    a->serialise(a, state, data);
    ok(a->deserialise(a, fresh, data, bytes, arena, &error));
    return fresh;
}

static void check_ways(const ResolvedAggregate *r, const Vector *v, const uint8_t *group) {
    const Aggregate *a = r->aggregate;
    uint32_t nargs = v != NULL;
    uint8_t *states[ROWS], *group_states[GROUPS];
    uint32_t offset = 16;
    bool any_order = a->id == TRIB_AGG_any_value || a->order_matters;
    for (uint32_t g = 0; g < GROUPS; g++) {
        group_states[g] = arena_alloc(arena, offset + a->state_size);
        a->init(group_states[g] + offset, r->args, r->result);
    }
    for (uint32_t i = 0; i < ROWS; i++) states[i] = group_states[group[i]];
    ok(a->update(a, nargs, v, NULL, ROWS, states, offset, arena, &error));
    void *all = state_new(r);
    ok(update(r, v, NULL, ROWS, all));
    void *combined = state_new(r);
    for (uint32_t g = 0; g < GROUPS; g++) {
        uint16_t first[ROWS], second[ROWS];
        uint32_t n = 0, m = 0;
        for (uint32_t i = 0; i < ROWS; i++) {
            if (group[i] != g) continue;
            if (draw(2)) {
                first[n++] = (uint16_t)i;
            } else {
                second[m++] = (uint16_t)i;
            }
        }
        void *one = state_new(r), *two = state_new(r);
        ok(update(r, v, first, n, one));
        ok(update(r, v, second, m, two));
        ok(a->combine(a, one, round_trip(r, two), arena, &error));
        const char *expected = finish(r, group_states[g] + offset);
        if (!any_order) assert_string_equal(finish(r, one), expected);
        assert_string_equal(finish(r, round_trip(r, group_states[g] + offset)), expected);
        ok(a->combine(a, combined, group_states[g] + offset, arena, &error));
    }
    if (!any_order) assert_string_equal(finish(r, combined), finish(r, all));
}

static void test_ways(void **state) {
    uint32_t tried = 0;
    for (uint32_t i = 0; aggregate_row(i) != NULL; i++) {
        const Aggregate *a = aggregate_row(i);
        for (size_t t = 0; t < COUNT_OF(sample_types); t++) {
            Arena *outer = arena;
            arena = arena_new(NULL);
            Type type = typ(sample_types[t]);
            ResolvedAggregate r;
            uint8_t group[ROWS];
            for (uint32_t row = 0; row < ROWS; row++) group[row] = (uint8_t)draw(GROUPS);
            /* exact in double, whatever the order: whole numbers; variances are not */
            bool variance = (a->id >= TRIB_AGG_stddev_samp && a->id <= TRIB_AGG_var_pop) ||
                            a->id == TRIB_AGG_geometric_mean || a->id == TRIB_AGG_entropy ||
                            a->id == TRIB_AGG_skewness || a->id == TRIB_AGG_kurtosis;
            if (aggregate_resolve(arena, str_from(a->name), 1, &type, &r, &error) == TRIB_OK &&
                r.aggregate == a && type_equal(r.args[0], type) && !variance) {
                Vector v;
                ok(vector_new(arena, type, ROWS, &v, &error));
                for (uint32_t row = 0; row < ROWS; row++) {
                    Value value = sample(type);
                    ok(vector_set(arena, &v, row, &value, &error));
                }
                check_ways(&r, &v, group);
                uint32_t rows[ROWS];
                for (uint32_t row = 0; row < ROWS; row++)
                    rows[row] = draw(9) ? draw(ROWS) : UINT32_MAX;
                Vector *entries = ARENA_NEW(arena, Vector), dictionary;
                *entries = v;
                uint32_t *indices = ARENA_ARRAY(arena, uint32_t, ROWS);
                for (uint32_t row = 0; row < ROWS; row++) indices[row] = row;
                Vector d = {.type = type,
                            .physical = v.physical,
                            .form = VECTOR_DICTIONARY,
                            .entries = ROWS,
                            .nchildren = 1,
                            .children = entries,
                            .indices = indices};
                ok(vector_gather(arena, &d, rows, ROWS, &dictionary, &error));
                check_ways(&r, &dictionary, group);
                tried++;
            }
            arena_free(arena);
            arena = outer;
        }
    }
    assert_true(tried >= 70);
    ResolvedAggregate r = resolve("count", NULL);
    uint8_t group[ROWS] = {0};
    check_ways(&r, NULL, group);
}

static void test_errors(void **state) {
    ResolvedAggregate r;
    Type map = typ("map(integer, integer)"), date = typ("date");
    assert_int_not_equal(aggregate_resolve(arena, STR("max"), 1, &map, &r, &error), TRIB_OK);
    assert_string_equal(error.message, "function max does not accept (map(integer, integer))");
    ok(aggregate_resolve(arena, STR("any_value"), 1, &map, &r, &error));
    assert_int_not_equal(aggregate_resolve(arena, STR("sum"), 1, &date, &r, &error), TRIB_OK);
    assert_string_equal(error.message, "function sum does not accept (date)");
    assert_int_not_equal(aggregate_resolve(arena, STR("summ"), 1, &date, &r, &error), TRIB_OK);
    assert_string_equal(error.message, "function 'summ' does not exist");
    assert_string_equal(error.hint, "did you mean sum?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_wide_sums, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_wide_combined, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_results, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_ways, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_errors, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
