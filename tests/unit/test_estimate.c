/*
 * test_estimate.c - rows, selectivities and distinct values against what the formulas of estimate.h say,
 * and the sketches that count distinct values within their error.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "connectors/memory/sketch.h"
#include "engine/plan/estimate.h"

/* Table a: 1,000 rows; id is its key, kind has 10 values from 1 to 10, day 0 .. 99, a tenth NULL.
 * Table b: 50,000 rows; two columns that are a key together; nothing known of the third. */
enum { A_ID = 1, A_KIND, A_DAY, B_FIRST, B_SECOND, B_OTHER, COLUMNS };

static Arena *arena;
static Error err;
static PlanColumns columns;

static TribValue number(int64_t value) {
    TribValue out = {.type = TYPE(BIGINT)};
    out.as.integer = value;
    return out;
}

static TribColumn column(double distinct, double nulls, int64_t low, int64_t high) {
    TribColumn out = {
        .type = TYPE(BIGINT), .nullable = nulls != 0, .distinct = distinct, .null_fraction = nulls};
    if (low <= high) {
        out.minimum = number(low);
        out.maximum = number(high);
    }
    return out;
}

static int set_up(void **state) {
    static TribColumn a[3], b[3];
    static TableRef tables[2];
    if (!(arena = arena_new(NULL))) return -1;
    a[0] = column(1000, 0, 1, 1000);
    a[1] = column(10, 0, 1, 10);
    a[2] = column(100, 0.1, 0, 99);
    b[0] = column(1000, 0, 1, 1000);
    b[1] = column(500, 0, 1, 500);
    b[2] = column(-1, -1, 1, 0);
    tables[0].table = (TribTable){.ncolumns = 3, .columns = a, .rows = 1000};
    tables[1].table = (TribTable){.ncolumns = 3, .columns = b, .rows = 50000};
    columns.arena = arena;
    for (ColumnId id = A_ID; id < COLUMNS; id++) {
        if (plan_column_new(&columns, STR("c"), TYPE(BIGINT), true) != id) return -1;
        columns.columns[id].table = &tables[id >= B_FIRST];
        columns.columns[id].table_column = id >= B_FIRST ? id - B_FIRST : id - A_ID;
    }
    return 0;
}

static int tear_down(void **state) {
    arena_free(arena);
    return 0;
}

static Expr *col(ColumnId id) {
    Expr *e = expr_column(arena, id, TYPE(BIGINT));
    assert_non_null(e);
    return e;
}

static Expr *compare(uint16_t op, Expr *left, Expr *right) {
    ResolvedFunction f;
    Type types[2] = {TYPE(BIGINT), TYPE(BIGINT)};
    Expr *args[2] = {left, right};
    assert_int_equal(function_resolve_id(arena, op, 2, types, &f, &err), TRIB_OK);
    Expr *e = expr_call(arena, &f, 2, args);
    assert_non_null(e);
    return e;
}

static Expr *against(uint16_t op, ColumnId id, int64_t value) {
    Expr *constant = expr_constant(arena, number(value));
    assert_non_null(constant);
    return compare(op, col(id), constant);
}

static double share_of(Expr *first, Expr *second) {
    Expr *conjuncts[2] = {first, second};
    return estimate_selectivity(&columns, second ? 2 : 1, conjuncts);
}

static void near(double got, double wanted) {
    if (fabs(got - wanted) > 1e-6 * fmax(1, fabs(wanted)))
        fail_msg("%g instead of %g", got, wanted);
}

/* ---------------------------------------------------------------- conditions */

static void test_equality(void **state) {
    near(share_of(against(TRIB_FN_eq, A_KIND, 3), NULL), 0.1);
    near(share_of(against(TRIB_FN_eq, A_DAY, 3), NULL), 0.9 / 100); /* a tenth is NULL */
    near(share_of(against(TRIB_FN_eq, B_OTHER, 3), NULL), 0.05);
    near(share_of(against(TRIB_FN_ne, A_KIND, 3), NULL), 0.9);
    assert_true(share_of(against(TRIB_FN_eq, A_KIND, 11), NULL) < 1e-6); /* beyond the largest */
    near(share_of(against(TRIB_FN_eq, A_KIND, 3), against(TRIB_FN_eq, B_FIRST, 7)), 0.1 / 1000);
}

static void test_ranges(void **state) {
    near(share_of(against(TRIB_FN_le, A_KIND, 3), NULL), 0.3);
    near(share_of(against(TRIB_FN_lt, A_KIND, 3), NULL), 0.2);
    near(share_of(against(TRIB_FN_gt, A_KIND, 7), NULL), 0.3);
    near(share_of(against(TRIB_FN_ge, A_KIND, -5), NULL), 1);
    near(share_of(against(TRIB_FN_ge, A_DAY, 50), NULL), 0.5 * 0.9);
    near(share_of(against(TRIB_FN_gt, B_OTHER, 7), NULL), 0.33);
    /* both bounds together: 4, 5, 6 of ten */
    near(share_of(against(TRIB_FN_ge, A_KIND, 4), against(TRIB_FN_le, A_KIND, 6)), 0.3);
    near(share_of(against(TRIB_FN_gt, B_OTHER, 4), against(TRIB_FN_lt, B_OTHER, 6)), 0.15);
    /* the constant may stand on the left */
    near(share_of(compare(TRIB_FN_ge, expr_constant(arena, number(3)), col(A_KIND)), NULL), 0.3);
}

static void test_boolean_forms(void **state) {
    Expr *sides[2] = {against(TRIB_FN_eq, A_KIND, 1), against(TRIB_FN_eq, A_KIND, 2)};
    near(share_of(expr_boolean(arena, EXPR_OR, 2, sides), NULL), 1 - 0.9 * 0.9);
    near(share_of(expr_boolean(arena, EXPR_NOT, 1, sides), NULL), 0.9);
    Expr *operand = col(A_DAY);
    Expr *null = expr_new(arena, EXPR_IS_NULL, TYPE(BOOLEAN), 1, &operand);
    near(share_of(null, NULL), 0.1);
}

/* ---------------------------------------------------------------- joins */

static double matches(double left, double right, uint32_t n, Expr *const *l, Expr *const *r) {
    return estimate_matches(&columns, left, right, n, l, r);
}

static void test_matches(void **state) {
    Expr *id = col(A_ID), *first = col(B_FIRST), *other = col(B_OTHER), *kind = col(A_KIND);
    near(matches(1000, 50000, 1, &id, &first), 50000); /* each b has one a */
    near(matches(100, 50000, 1, &id, &first), 5000);   /* a tenth of a was left */
    near(matches(1000, 50000, 1, &kind, &first), 50000);
    near(matches(1000, 50000, 1, &id, &other), 50000); /* one side is known */
    near(matches(10, 20, 1, &other, &other), 1); /* never less than a row, 50,000 being a key */
    Expr *both[2] = {col(B_FIRST), col(B_SECOND)}, *other_both[2] = {col(B_FIRST), col(B_SECOND)};
    near(matches(50000, 50000, 2, both, other_both), 50000); /* they are the key of b */
}

static void test_join_kinds(void **state) {
    LogicalNode *join = logical_new(arena, LOGICAL_JOIN, 2, 2);
    LogicalNode *a = logical_new(arena, LOGICAL_VALUES, 1, 0),
                *b = logical_new(arena, LOGICAL_VALUES, 1, 0);
    assert_true(join && a && b);
    a->output[0] = join->output[0] = A_ID;
    b->output[0] = join->output[1] = B_FIRST;
    join->children[0] = a;
    join->children[1] = b;
    Expr *equality = compare(TRIB_FN_eq, col(B_FIRST), col(A_ID)); /* the wrong way round */
    join->conjuncts = &equality;
    join->nconjuncts = 1;
    static const struct {
        JoinKind kind;
        double left, right, rows;
    } cases[] = {
        {JOIN_INNER, 1000, 500, 500},    {JOIN_LEFT, 1000, 500, 1000},
        {JOIN_RIGHT, 100, 50000, 50000}, {JOIN_FULL, 1000, 500, 1500},
        {JOIN_SEMI, 1000, 500, 500},     {JOIN_ANTI, 1000, 500, 500},
        {JOIN_MARK, 1000, 500, 1000},    {JOIN_SEMI, 1000, 50000, 900},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        join->join = cases[i].kind;
        near(estimate_join(&columns, join, cases[i].left, cases[i].right), cases[i].rows);
    }
}

/* Of a declared key the distinct values need not be known. */
static void test_declared_key(void **state) {
    static const uint32_t parts[2] = {2, 0};
    static const TribKey key = {.name = "k", .unique = true, .ncolumns = 2, .columns = parts};
    TribTable *b = (TribTable *)(uintptr_t)&columns.columns[B_FIRST].table->table;
    Expr *keys[2] = {col(B_FIRST), col(B_OTHER)}, *one = col(B_OTHER), *kind = col(A_KIND);
    b->keys = &key;
    b->nkeys = 1;
    near(matches(600000, 50000, 2, keys, keys), 600000);
    near(matches(1000, 50000, 1, &kind, &one), 1000 * 50000 / 10.0); /* half of a key is none */
    b->nkeys = 0;
}

/* ---------------------------------------------------------------- sketches */

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static void test_sketch(void **state) {
    static const uint64_t counts[] = {0, 1, 10, 100, 1000, 100000, 1000000};
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        uint8_t registers[SKETCH_BYTES] = {0}, halves[2][SKETCH_BYTES] = {{0}, {0}};
        for (uint64_t v = 1; v <= counts[i]; v++) {
            sketch_add(registers, mix(v));
            sketch_add(registers, mix(v)); /* twice is once */
            sketch_add(halves[v % 2], mix(v));
        }
        double n = (double)counts[i], error = fabs(sketch_count(registers) - n);
        if (error > 0.15 * n + 0.5) fail_msg("%g counted as %g", n, n + error);
        sketch_merge(halves[0], halves[1]);
        assert_memory_equal(halves[0], registers, sizeof registers);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),      cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_boolean_forms), cmocka_unit_test(test_matches),
        cmocka_unit_test(test_join_kinds),    cmocka_unit_test(test_sketch),
        cmocka_unit_test(test_declared_key),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
