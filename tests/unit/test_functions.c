/*
 * test_functions.c - every function and cast with expected results, one line per case.
 */
#include "tests/unit/eval_support.h"

typedef struct Case {
    const char *name;
    const char *args[4];  /* "type|text", or "type" for NULL */
    const char *expected; /* "!SQLSTATE" for errors: compared as a prefix */
} Case;

static const Case cases[] = {
#include "tests/unit/function_cases.def"
};

static bool check(const Case *c) {
    Expr *args[4];
    uint32_t n = 0;
    while (n < 4 && c->args[n] != NULL) {
        args[n] = spec(c->args[n]);
        n++;
    }
    Expr *e = call_named(c->name, n, args);
    const char *got = eval_text(e);
    bool error_wanted = c->expected[0] == '!';
    bool same = error_wanted ? strncmp(got, c->expected, strlen(c->expected)) == 0
                             : strcmp(got, c->expected) == 0;
    if (!same) {
        print_error("%s(%s, %s, %s): expected '%s', got '%s'\n", c->name,
                    c->args[0] ? c->args[0] : "", c->args[1] ? c->args[1] : "",
                    c->args[2] ? c->args[2] : "", c->expected, got);
    }
    /* What raises must say so beforehand; unfolded, and folded the same. */
    if (got[0] == '!' && !e->may_raise) {
        print_error("%s raised but may_raise is false\n", c->name);
        same = false;
    }
    return same;
}

static void test_cases(void **state) {
    uint32_t wrong = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) wrong += !check(&cases[i]);
    assert_int_equal(wrong, 0);
}

/* Result types as Trino has them. */
typedef struct TypeCase {
    const char *name;
    const char *args[3];
    const char *type;
} TypeCase;

static const TypeCase type_cases[] = {
    {"add", {"integer|1", "integer|1"}, "integer"},
    {"add", {"integer|1", "bigint|1"}, "bigint"},
    {"add", {"tinyint|1", "smallint|1"}, "smallint"},
    {"add", {"integer|1", "double|1"}, "double"},
    {"add", {"integer|1", "real|1"}, "real"},
    {"add", {"decimal(10,2)|1", "integer|1"}, "decimal(13,2)"},
    {"add", {"decimal(38,2)|1", "decimal(5,5)|0.1"}, "decimal(38,5)"},
    {"multiply", {"integer|1", "decimal(10,2)|1"}, "decimal(20,2)"},
    {"multiply", {"decimal(15,2)|1", "decimal(16,2)|1"}, "decimal(31,4)"},
    {"divide", {"decimal(10,2)|1", "decimal(5,3)|1"}, "decimal(14,3)"},
    {"modulus", {"decimal(10,2)|1", "decimal(5,3)|1"}, "decimal(5,3)"},
    {"round", {"decimal(10,2)|1"}, "decimal(9,0)"},
    {"round", {"decimal(10,2)|1", "integer|1"}, "decimal(11,2)"},
    {"floor", {"decimal(10,2)|1"}, "decimal(9,0)"},
    {"truncate", {"decimal(10,2)|1"}, "decimal(8,0)"},
    {"subtract", {"date|2024-01-02", "date|2024-01-01"}, "interval day to second"},
    {"add", {"timestamp(6)|2024-01-01", "interval year to month|1-0"}, "timestamp(6)"},
    {"lower", {"varchar(7)|ABC"}, "varchar(7)"},
    {"lower", {"char(7)|ABC"}, "char(7)"},
    {"concat", {"varchar(7)|ABC", "varchar(2)|x"}, "varchar"},
    {"greatest", {"integer|1", "bigint|2"}, "bigint"},
    {"greatest", {"decimal(3,1)|1", "decimal(5,3)|2"}, "decimal(5,3)"},
    {"date_trunc", {"varchar|day", "timestamp(9)|2024-01-01"}, "timestamp(9)"},
    {"from_unixtime", {"double|0"}, "timestamp(3) with time zone"},
    {"length", {"char(5)|a"}, "bigint"},
    {"abs", {"smallint|-1"}, "smallint"},
    {"add", {"unknown", "bigint|1"}, "bigint"},
    {"eq", {"unknown", "unknown"}, "boolean"},
};

static void test_result_types(void **state) {
    for (size_t i = 0; i < COUNT_OF(type_cases); i++) {
        const TypeCase *c = &type_cases[i];
        Expr *args[3];
        uint32_t n = 0;
        while (n < 3 && c->args[n] != NULL) {
            args[n] = spec(c->args[n]);
            n++;
        }
        Buf text;
        buf_init(&text, arena, 1000);
        type_print(&text, call_named(c->name, n, args)->type);
        if (strcmp(text.data, c->type) != 0)
            fail_msg("%s: %s, not %s", c->name, text.data, c->type);
    }
}

static void assert_resolve_error(const char *name, uint32_t nargs, const char *type,
                                 const char *message, const char *more) {
    Type types[2] = {typ(type), typ(type)};
    ResolvedFunction f;
    assert_int_not_equal(function_resolve(arena, str_from(name), nargs, types, &f, &error),
                         TRIB_OK);
    assert_string_equal(error.sqlstate, "42000");
    assert_string_equal(error.message, message);
    if (strstr(error.detail, more) == NULL && strstr(error.hint, more) == NULL) {
        fail_msg("'%s' / '%s' does not mention %s", error.detail, error.hint, more);
    }
}

static void test_resolve_errors(void **state) {
    assert_resolve_error("lenght", 1, "varchar", "function 'lenght' does not exist", "length");
    assert_resolve_error("sqrt", 1, "date", "function sqrt does not accept (date)", "sqrt(double)");
    assert_resolve_error("eq", 2, "bigint", "function 'eq' does not exist", "");
    assert_true(function_exists(STR("COALESCE")));
    assert_true(function_exists(STR("Ceil")));
    assert_false(function_exists(STR("add")));
    assert_true(aggregate_exists(STR("stddev")));
    Type types[2] = {typ("varchar"), typ("integer")};
    ResolvedFunction f;
    assert_int_not_equal(function_resolve_id(arena, TRIB_FN_add, 2, types, &f, &error), TRIB_OK);
    assert_string_equal(error.message, "operator + cannot be applied to (varchar, integer)");
    types[0] = types[1] = typ("decimal(38,30)");
    assert_int_not_equal(function_resolve_id(arena, TRIB_FN_multiply, 2, types, &f, &error),
                         TRIB_OK);
    assert_string_equal(error.sqlstate, "HY104");
    assert_non_null(strstr(error.message, "the product of decimal(38,30) and decimal(38,30)"));
}

/* Every number of the table has something that computes it. */
static void test_all_ids(void **state) {
#define FN(number, name, odbc_group, odbc_bit) \
    if (!function_has_kernel(TRIB_FN_##name)) fail_msg("no kernel for %s", #name);
#define AGG(number, name, odbc_bit) \
    if (!function_has_kernel((TribFunctionId)TRIB_AGG_##name)) fail_msg("no kernel for %s", #name);
#include "connectors/ids.def"
    for (uint32_t i = 0; function_row(i) != NULL; i++) {
        const Function *f = function_row(i);
        assert_non_null(f->help);
        assert_non_null(f->family);
        assert_non_null(f->kernel);
    }
}

static void test_volatile(void **state) {
    Expr *e = call_named("random", 0, NULL);
    assert_true(e->is_volatile);
    Expr *folded;
    ok(expr_fold(arena, &session, e, &folded, &error));
    assert_ptr_equal(folded, e);
    Evaluator *evaluator;
    Expr *ranged = call_named("random", 2, (Expr *[]){spec("bigint|10"), spec("bigint|20")});
    const Expr *exprs[] = {e, ranged};
    ok(evaluator_new(arena, &session, 2, exprs, &evaluator, &error));
    Batch batch = batch_of(0, NULL, 1000);
    Vector v;
    ok(evaluator_run(evaluator, 0, &batch, &v, &error));
    const double *x = v.data;
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(x[i] >= 0 && x[i] < 1);
        sum += x[i];
    }
    assert_true(sum > 400 && sum < 600);
    ok(evaluator_run(evaluator, 1, &batch, &v, &error));
    uint32_t seen = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t n = ((const int64_t *)v.data)[i];
        assert_true(n >= 10 && n < 20);
        seen |= 1u << (n - 10);
    }
    assert_int_equal(seen, 0x3ff);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_cases, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_result_types, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_resolve_errors, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_all_ids, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_volatile, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
