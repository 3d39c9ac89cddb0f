/*
 * test_eval.c - logic, branches, errors, filters, folding, printing; and random expressions against a
 * row-by-row interpreter of SQL's rules.
 */
#include "tests/unit/eval_support.h"
#include "tests/unit/test_base.h"

/* ---------------------------------------------------------------- constants */

#define T      lit("boolean", "true")
#define F      lit("boolean", "false")
#define N      lit("boolean", NULL)
#define RAISES OP(eq, OP(divide, lit("integer", "1"), lit("integer", "0")), lit("integer", "1"))

static void test_three_values(void **state) {
    assert_value(BOOL(EXPR_AND, T, N), "NULL");
    assert_value(BOOL(EXPR_AND, N, F), "false");
    assert_value(BOOL(EXPR_AND, T, T), "true");
    assert_value(BOOL(EXPR_OR, N, T), "true");
    assert_value(BOOL(EXPR_OR, F, N), "NULL");
    assert_value(BOOL(EXPR_OR, F, F), "false");
    assert_value(BOOL(EXPR_NOT, N), "NULL");
    assert_value(BOOL(EXPR_NOT, F), "true");
    assert_value(NODE(EXPR_IS_NULL, TYPE(BOOLEAN), N), "true");
    Expr *not_null = NODE(EXPR_IS_NULL, TYPE(BOOLEAN), N);
    not_null->negated = true;
    assert_value(not_null, "false");
}

static void test_absorbed(void **state) {
    Type integer = typ("integer");
    Expr *one = lit("integer", "1"), *zero = lit("integer", "0"), *null = lit("integer", NULL);
    Expr *bad = OP(divide, one, zero);
    assert_value(BOOL(EXPR_AND, RAISES, F), "false"); /* what cannot raise goes first */
    assert_value(BOOL(EXPR_OR, RAISES, T), "true");
    assert_value(BOOL(EXPR_AND, RAISES, T), "!22012 division by zero: 1 / 0");
    assert_value(NODE(EXPR_CASE, integer, T, one, bad), "1");
    assert_value(NODE(EXPR_CASE, integer, F, bad, one), "1");
    assert_value(NODE(EXPR_CASE, integer, N, bad, F, bad, zero), "0");
    assert_value(NODE(EXPR_CASE, integer, F, bad, bad), "!22012");
    assert_value(NODE(EXPR_CASE, integer, RAISES, one, one), "!22012");
    assert_value(NODE(EXPR_COALESCE, integer, null, one, bad), "1");
    assert_value(NODE(EXPR_COALESCE, integer, null, bad), "!22012");
    assert_value(NODE(EXPR_COALESCE, integer, null, null), "NULL");
    assert_value(NODE(EXPR_TRY, integer, bad), "NULL");
    assert_value(NODE(EXPR_TRY, integer, one), "1");
    assert_value(TRY_CAST(lit("varchar", "x"), "bigint"), "NULL");
    assert_value(TRY_CAST(lit("varchar", "7"), "bigint"), "7");
    assert_value(TRY_CAST(bad, "bigint"), "!22012"); /* only its own errors */
    assert_value(NODE(EXPR_NULLIF, integer, one, one, OP(eq, one, one)), "NULL");
    assert_value(NODE(EXPR_NULLIF, integer, one, zero, OP(eq, one, zero)), "1");
    assert_value(NODE(EXPR_NULLIF, integer, one, null, OP(eq, one, null)), "1");
    assert_false(NODE(EXPR_TRY, integer, bad)->may_raise);
}

static void test_in(void **state) {
    Type boolean = TYPE(BOOLEAN);
    Expr *one = lit("integer", "1"), *two = lit("integer", "2"), *null = lit("integer", NULL);
    Expr *bad = OP(divide, one, lit("integer", "0"));
    assert_value(NODE(EXPR_IN, boolean, one, two, one), "true");
    assert_value(NODE(EXPR_IN, boolean, one, two, null), "NULL");
    assert_value(NODE(EXPR_IN, boolean, one, null, one), "true");
    assert_value(NODE(EXPR_IN, boolean, null, one), "NULL");
    Expr *not_in = NODE(EXPR_IN, boolean, one, two, lit("integer", "3"));
    not_in->negated = true;
    assert_value(not_in, "true");
    Expr *not_in_null = NODE(EXPR_IN, boolean, one, two, null);
    not_in_null->negated = true;
    assert_value(not_in_null, "NULL");
    assert_value(NODE(EXPR_IN, boolean, one, one, bad), "true");
    assert_value(NODE(EXPR_IN, boolean, two, one, bad), "!22012");
    Expr *nan = lit("double", "NaN");
    assert_value(NODE(EXPR_IN, boolean, nan, nan, lit("double", "1")), "false");
    assert_value(NODE(EXPR_IN, boolean, lit("double", "-0"), lit("double", "0")), "true");
}

/* A long list is a set: cheap to build, and right at its ends. */
static void test_long_in(void **state) {
    enum { COUNT = 100000 };
    Expr **args = ARENA_ARRAY(arena, Expr *, COUNT + 1);
    args[0] = col(0, "varchar");
    for (uint32_t i = 0; i < COUNT; i++) {
        const char *text = arena_printf(arena, i % 2 ? "%u" : "the number %u", i);
        args[i + 1] = expr_constant(arena, text_value(text));
    }
    Expr *e = expr_new(arena, EXPR_IN, TYPE(BOOLEAN), COUNT + 1, args);
    Vector columns[] = {COLUMN("varchar", "1", "the number 0", "2", "99999", "the number 99998",
                               NULL, "100001", "")};
    Batch batch = batch_of(1, columns, 8);
    Evaluator *evaluator;
    uint16_t selection[8];
    uint32_t count;
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    ok(evaluator_filter(evaluator, 0, &batch, selection, &count, &error));
    assert_int_equal(count, 4);
    assert_int_equal(selection[0], 0);
    assert_int_equal(selection[1], 1);
    assert_int_equal(selection[2], 3);
    assert_int_equal(selection[3], 4);
}

/* Branches of narrower types make a result of the common type. */
static void test_branch_types(void **state) {
    Type wide = typ("varchar");
    Vector columns[] = {COLUMN("varchar(3)", "abc", NULL)};
    Batch batch = batch_of(1, columns, 2);
    Expr *a = col(0, "varchar(3)"), *null = expr_constant(arena, (Value){.is_null = true});
    Expr *exprs[] = {NODE(EXPR_COALESCE, wide, a, a), NODE(EXPR_CASE, wide, T, a, a),
                     NODE(EXPR_CASE, wide, T, null, a)};
    Evaluator *evaluator;
    ok(evaluator_new(arena, &session, 3, (const Expr *const *)exprs, &evaluator, &error));
    for (uint32_t i = 0; i < 3; i++) {
        Vector v;
        ok(evaluator_run(evaluator, i, &batch, &v, &error));
        assert_true(type_equal(v.type, wide));
        assert_int_equal(v.physical, PHYS_STRING);
        assert_int_equal(vector_is_null(&v, 0), i == 2);
        assert_true(vector_is_null(&v, 1));
    }
}

/* ---------------------------------------------------------------- messages */

static void test_messages(void **state) {
    Expr *a = col(0, "integer"), *b = col(1, "integer");
    Vector columns[] = {COLUMN("integer", "6", "7", "8", "9"),
                        COLUMN("integer", "2", "0", "1", "0")};
    Batch batch = batch_of(2, columns, 4);
    Expr *quotient = OP(divide, a, b);
    quotient->line = 3;
    quotient->column = 14;
    Expr *e = OP(add, CAST(quotient, "bigint"), lit("bigint", "1"));
    Evaluator *evaluator;
    Vector v;
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    assert_int_equal(evaluator_run(evaluator, 0, &batch, &v, &error), TRIB_DATA);
    assert_string_equal(error.message, "division by zero: 7 / 0");
    assert_string_equal(error.sqlstate, "22012");
    assert_int_equal(error.line, 3);
    assert_int_equal(error.column, 14);
    assert_int_equal(error.row, 1);
    /* Unselected rows raise nothing. */
    uint16_t good[] = {0, 2};
    batch.selection = good;
    batch.selected = 2;
    ok(evaluator_run(evaluator, 0, &batch, &v, &error));
    assert_int_equal(((const int64_t *)v.data)[0], 4);
    assert_int_equal(((const int64_t *)v.data)[2], 9);
    uint16_t last[] = {0, 3};
    batch.selection = last;
    assert_int_equal(evaluator_run(evaluator, 0, &batch, &v, &error), TRIB_DATA);
    assert_string_equal(error.message, "division by zero: 9 / 0");
    batch.selected = 0;
    ok(evaluator_run(evaluator, 0, &batch, &v, &error));
}

static void test_message_of_branch(void **state) {
    Expr *a = col(0, "varchar");
    Vector columns[] = {COLUMN("varchar", "1", "x", "y")};
    Batch batch = batch_of(1, columns, 3);
    Expr *guard = OP(eq, a, lit("varchar", "x"));
    Expr *e = NODE(EXPR_CASE, typ("bigint"), guard, lit("bigint", "0"), CAST(a, "bigint"));
    Evaluator *evaluator;
    Vector v;
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    assert_int_equal(evaluator_run(evaluator, 0, &batch, &v, &error), TRIB_DATA);
    assert_string_equal(error.message, "cannot cast 'y' to bigint");
    assert_string_equal(error.sqlstate, "22018");
    uint16_t good[] = {0, 1};
    batch.selection = good;
    batch.selected = 2;
    ok(evaluator_run(evaluator, 0, &batch, &v, &error));
    assert_int_equal(((const int64_t *)v.data)[1], 0);
}

/* ---------------------------------------------------------------- folding, printing */

static void assert_folds(Expr *e, const char *expected) {
    Expr *folded;
    Buf text;
    buf_init(&text, arena, 1000);
    ok(expr_fold(arena, &session, e, &folded, &error));
    expr_print(&text, folded, NULL, NULL);
    assert_string_equal(text.data, expected);
}

static void test_fold(void **state) {
    Expr *one = lit("integer", "1"), *zero = lit("integer", "0");
    assert_folds(OP(add, one, one), "2");
    assert_folds(OP(divide, one, zero), "1 / 0");
    assert_folds(OP(add, col(3, "integer"), one), "#3 + 1");
    assert_folds(CALL("upper", lit("varchar", "o'neill")), "'O''NEILL'");
    assert_folds(CAST(lit("varchar", "2024-01-05"), "date"), "DATE '2024-01-05'");
    assert_folds(call_named("current_date", 0, NULL), "DATE '2024-06-15'");
    assert_folds(OP(add, one, lit("integer", NULL)), "NULL");
    Value out, from = text_value("abc");
    assert_int_equal(value_cast(arena, &session, &from, typ("bigint"), &out, &error), TRIB_DATA);
    assert_string_equal(error.message, "cannot cast 'abc' to bigint");
    from = val("date", "2024-01-01");
    assert_int_equal(value_cast(arena, &session, &from, typ("bigint"), &out, &error), TRIB_INVALID);
    assert_string_equal(error.message, "cannot cast date to bigint");
}

static void assert_prints(Expr *e, const char *expected) {
    Buf text;
    buf_init(&text, arena, 1000);
    expr_print(&text, e, NULL, NULL);
    assert_string_equal(text.data, expected);
}

static void test_print(void **state) {
    Expr *a = col(1, "integer"), *b = col(2, "integer"), *one = lit("integer", "1");
    assert_prints(OP(multiply, OP(add, a, b), one), "(#1 + #2) * 1");
    assert_prints(OP(subtract, a, OP(subtract, b, one)), "#1 - (#2 - 1)");
    assert_prints(OP(subtract, OP(subtract, a, b), one), "#1 - #2 - 1");
    assert_prints(BOOL(EXPR_AND, BOOL(EXPR_OR, OP(eq, a, b), OP(lt, a, one)), OP(ne, b, one)),
                  "(#1 = #2 OR #1 < 1) AND #2 <> 1");
    assert_prints(BOOL(EXPR_NOT, BOOL(EXPR_AND, OP(eq, a, b), OP(eq, a, one))),
                  "NOT (#1 = #2 AND #1 = 1)");
    Expr *in = NODE(EXPR_IN, TYPE(BOOLEAN), a, one, b);
    in->negated = true;
    assert_prints(in, "#1 NOT IN (1, #2)");
    assert_prints(NODE(EXPR_CASE, typ("integer"), OP(eq, a, b), one, b),
                  "CASE WHEN #1 = #2 THEN 1 ELSE #2 END");
    assert_prints(TRY_CAST(a, "varchar(5)"), "TRY_CAST(#1 AS varchar(5))");
    assert_prints(OP(negate, OP(add, a, b)), "-(#1 + #2)");
    assert_prints(OP(like, lit("varchar", "a"), lit("varchar", "b"), lit("varchar", "!")),
                  "'a' LIKE 'b' ESCAPE '!'");
}

static void test_equal_and_flatten(void **state) {
    Expr *a = col(1, "integer"), *b = col(2, "integer");
    assert_true(expr_equal(OP(add, a, b), OP(add, col(1, "integer"), col(2, "integer"))));
    assert_false(expr_equal(OP(add, a, b), OP(add, b, a)));
    assert_false(expr_equal(OP(add, a, b), OP(subtract, a, b)));
    Expr *r = call_named("random", 0, NULL);
    assert_false(expr_equal(r, r));
    Expr *all = BOOL(EXPR_AND, OP(eq, a, b), BOOL(EXPR_AND, OP(lt, a, b), OP(gt, a, b)));
    assert_int_equal(all->nargs, 3);
    uint64_t bits[1] = {0};
    expr_columns(all, bits);
    assert_int_equal(bits[0], 6);
    assert_ptr_equal(CAST(a, "integer"), a);
}

static void test_may_raise(void **state) {
    Expr *a = col(1, "integer"), *d = col(2, "decimal(10,2)"), *w = col(3, "decimal(38,2)");
    assert_true(OP(add, a, a)->may_raise);
    assert_false(OP(divide, a, lit("integer", "2"))->may_raise);
    assert_true(OP(divide, a, lit("integer", "-1"))->may_raise);
    assert_true(OP(modulus, a, lit("integer", "0"))->may_raise);
    assert_false(OP(add, d, d)->may_raise);
    assert_false(OP(multiply, d, d)->may_raise);
    assert_true(OP(add, w, w)->may_raise);
    assert_true(OP(divide, d, d)->may_raise);
    assert_false(OP(divide, d, lit("decimal(3,1)", "2.5"))->may_raise);
    assert_false(CAST(a, "bigint")->may_raise);
    assert_true(CAST(a, "smallint")->may_raise);
    assert_false(TRY_CAST(a, "smallint")->may_raise);
    assert_false(CAST(a, "varchar")->may_raise);
    assert_true(CAST(a, "varchar(3)")->may_raise);
    assert_false(CAST(a, "decimal(10,0)")->may_raise);
    assert_true(CAST(a, "decimal(9,0)")->may_raise);
}

/* ---------------------------------------------------------------- random expressions */

#define RANDOM_ROWS 300

/* A nullable, possibly raising result of the reference. */
typedef struct Cell {
    bool raises, null;
    int64_t value;
} Cell;

static uint64_t seed = 1234567;
static int32_t numbers[3][RANDOM_ROWS]; /* INT32_MIN = NULL */

static uint32_t draw(uint32_t bound) {
    return (uint32_t)(test_random(&seed) % bound);
}

static Expr *random_boolean(uint32_t depth);

static Expr *random_integer(uint32_t depth) {
    Type integer = typ("integer");
    switch (depth == 0 ? draw(3) : draw(9)) {
    case 0:
    case 1: return col(draw(3), "integer");
    case 2:
        return draw(6) == 0 ? lit("integer", NULL)
                            : lit("integer", arena_printf(arena, "%d", (int)draw(7) - 3));
    case 3: return OP(add, random_integer(depth - 1), random_integer(depth - 1));
    case 4: return OP(divide, random_integer(depth - 1), random_integer(depth - 1));
    case 5:
        return NODE(EXPR_CASE, integer, random_boolean(depth - 1), random_integer(depth - 1),
                    random_boolean(depth - 1), random_integer(depth - 1),
                    random_integer(depth - 1));
    case 6:
        return NODE(EXPR_COALESCE, integer, random_integer(depth - 1), random_integer(depth - 1),
                    random_integer(depth - 1));
    case 7: {
        Expr *a = random_integer(depth - 1), *b = random_integer(depth - 1);
        return NODE(EXPR_NULLIF, integer, a, b, OP(eq, a, b));
    }
    default: return NODE(EXPR_TRY, integer, random_integer(depth - 1));
    }
}

static Expr *random_boolean(uint32_t depth) {
    switch (depth == 0 ? draw(2) : draw(7)) {
    case 0: return OP(lt, random_integer(depth ? depth - 1 : 0), random_integer(0));
    case 1: return OP(eq, random_integer(depth ? depth - 1 : 0), random_integer(0));
    case 2:
        return BOOL(EXPR_AND, random_boolean(depth - 1), random_boolean(depth - 1),
                    random_boolean(depth - 1));
    case 3: return BOOL(EXPR_OR, random_boolean(depth - 1), random_boolean(depth - 1));
    case 4: return BOOL(EXPR_NOT, random_boolean(depth - 1));
    case 5: {
        Expr *e = draw(2) ? NODE(EXPR_IN, TYPE(BOOLEAN), random_integer(depth - 1),
                                 lit("integer", "1"), lit("integer", "-2"), lit("integer", NULL))
                          : NODE(EXPR_IN, TYPE(BOOLEAN), random_integer(depth - 1),
                                 random_integer(0), random_integer(depth - 1));
        e->negated = draw(2);
        return e;
    }
    default: {
        Expr *e = NODE(EXPR_IS_NULL, TYPE(BOOLEAN), random_integer(depth - 1));
        e->negated = draw(2);
        return e;
    }
    }
}

static Cell reference(const Expr *e, uint32_t row);

static Cell reference_chain(const Expr *e, uint32_t row) {
    int64_t deciding = e->kind == EXPR_OR;
    Cell result = {.value = !deciding};
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < e->nargs; i++) {
            if (e->args[i]->may_raise != (pass == 1)) continue;
            Cell c = reference(e->args[i], row);
            if (c.raises || (!c.null && c.value == deciding)) return c;
            result.null = result.null || c.null;
        }
    }
    return result;
}

static Cell reference_call(const Expr *e, uint32_t row) {
    Cell a = reference(e->args[0], row);
    if (a.raises || a.null) return a;
    Cell b = reference(e->args[1], row);
    if (b.raises || b.null) return b;
    Cell r = {0};
    switch (e->as.function->id) {
    case TRIB_FN_add: r.value = a.value + b.value; break;
    case TRIB_FN_divide:
        r.raises = b.value == 0;
        r.value = r.raises ? 0 : a.value / b.value;
        break;
    case TRIB_FN_lt: r.value = a.value < b.value; break;
    default: r.value = a.value == b.value; break;
    }
    if (e->type.id == TRIB_TYPE_INTEGER && r.value != (int32_t)r.value) r.raises = true;
    return r;
}

static Cell reference_in(const Expr *e, uint32_t row) {
    Cell a = reference(e->args[0], row), result = {0};
    if (a.raises || a.null) return a;
    for (uint32_t i = 1; i < e->nargs; i++) {
        Cell c = reference(e->args[i], row);
        if (c.raises) return c;
        if (!c.null && c.value == a.value) return (Cell){.value = !e->negated};
        result.null = result.null || c.null;
    }
    result.value = e->negated;
    return result;
}

static Cell reference_case(const Expr *e, uint32_t row) {
    for (uint32_t i = 0; i + 1 < e->nargs; i += 2) {
        Cell when = reference(e->args[i], row);
        if (when.raises) return when;
        if (!when.null && when.value) return reference(e->args[i + 1], row);
    }
    return reference(e->args[e->nargs - 1], row);
}

static Cell reference(const Expr *e, uint32_t row) {
    Cell c = {0}, d;
    switch ((ExprKind)e->kind) {
    case EXPR_COLUMN:
        c.value = numbers[e->as.ordinal][row];
        c.null = c.value == INT32_MIN;
        return c;
    case EXPR_CONSTANT:
        c.null = e->as.value.is_null;
        c.value = c.null ? 0 : e->as.value.as.integer;
        return c;
    case EXPR_CALL: return reference_call(e, row);
    case EXPR_AND:
    case EXPR_OR: return reference_chain(e, row);
    case EXPR_NOT:
        c = reference(e->args[0], row);
        c.value = !c.value;
        return c;
    case EXPR_IS_NULL:
        c = reference(e->args[0], row);
        if (c.raises) return c;
        return (Cell){.value = c.null != e->negated};
    case EXPR_CASE: return reference_case(e, row);
    case EXPR_COALESCE:
        for (uint32_t i = 0; i < e->nargs; i++) {
            c = reference(e->args[i], row);
            if (c.raises || !c.null) return c;
        }
        return c;
    case EXPR_NULLIF:
        c = reference(e->args[0], row);
        d = reference(e->args[2], row);
        if (c.raises || d.raises) return (Cell){.raises = true};
        c.null = c.null || (!d.null && d.value);
        return c;
    case EXPR_IN: return reference_in(e, row);
    case EXPR_TRY: c = reference(e->args[0], row); return c.raises ? (Cell){.null = true} : c;
    default: fail_msg("kind %d", e->kind); return c;
    }
}

static void random_columns(Vector *columns) {
    for (uint32_t c = 0; c < 3; c++) {
        uint32_t nulls = draw(2);
        for (uint32_t row = 0; row < RANDOM_ROWS; row++) {
            numbers[c][row] = nulls && draw(4) == 0 ? INT32_MIN : (int32_t)draw(7) - 3;
        }
        bool dictionary = draw(2);
        Vector flat;
        ok(vector_new(arena, typ("integer"), RANDOM_ROWS, &flat, &error));
        uint32_t rows[RANDOM_ROWS];
        for (uint32_t row = 0; row < RANDOM_ROWS; row++) {
            bool null = numbers[c][row] == INT32_MIN;
            Value value = {.type = typ("integer"), .is_null = null, .as.integer = numbers[c][row]};
            if (dictionary)
                value = (Value){.type = value.type, .as.integer = (int64_t)(row % 7) - 3};
            ok(vector_set(arena, &flat, row, &value, &error));
            rows[row] = null ? UINT32_MAX : (uint32_t)(numbers[c][row] + 3);
        }
        columns[c] = flat;
        if (!dictionary) continue;
        Vector *entries = ARENA_NEW(arena, Vector);
        *entries = flat;
        uint32_t *identity = ARENA_ARRAY(arena, uint32_t, RANDOM_ROWS);
        for (uint32_t i = 0; i < 7; i++) identity[i] = i;
        Vector d = {.type = flat.type,
                    .physical = flat.physical,
                    .form = VECTOR_DICTIONARY,
                    .entries = 7,
                    .nchildren = 1,
                    .children = entries,
                    .indices = identity,
                    .dictionary_id = draw(2) ? dictionary_identity() : 0};
        ok(vector_gather(arena, &d, rows, RANDOM_ROWS, &columns[c], &error));
    }
}

static void check_random(const Expr *e, const Batch *batch) {
    Evaluator *evaluator;
    Expr *tried = NODE(EXPR_TRY, e->type, (Expr *)e);
    const Expr *exprs[] = {tried, e};
    Vector v;
    bool raises = false;
    uint32_t trues = 0;
    ok(evaluator_new(arena, &session, 2, exprs, &evaluator, &error));
    ok(evaluator_run(evaluator, 0, batch, &v, &error));
    for (uint32_t i = 0; i < batch->selected; i++) {
        uint32_t row = batch_row(batch, i);
        Cell c = reference(e, row);
        Value value;
        ok(vector_value(arena, &v, row, &value, &error));
        bool same =
            value.is_null == (c.null || c.raises) && (value.is_null || value.as.integer == c.value);
        raises = raises || c.raises;
        trues += !c.raises && !c.null && c.value;
        if (same) continue;
        Buf text;
        buf_init(&text, arena, 100000);
        expr_print(&text, e, NULL, NULL);
        fail_msg("row %u: %s: %s", row, text.data, text_of(&value));
    }
    Status status = evaluator_run(evaluator, 1, batch, &v, &error);
    assert_int_equal(status != TRIB_OK, raises);
    assert_true(!raises || e->may_raise);
    if (e->type.id != TRIB_TYPE_BOOLEAN || raises) return;
    uint16_t selection[RANDOM_ROWS];
    uint32_t count;
    ok(evaluator_filter(evaluator, 1, batch, selection, &count, &error));
    assert_int_equal(count, trues);
    for (uint32_t i = 0; i < count; i++) {
        Cell c = reference(e, selection[i]);
        assert_true(!c.null && c.value && (i == 0 || selection[i] > selection[i - 1]));
    }
}

static void test_random_expressions(void **state) {
    for (uint32_t round = 0; round < 1500; round++) {
        Arena *outer = arena;
        arena = arena_new(NULL);
        Vector columns[3];
        uint16_t selection[RANDOM_ROWS];
        uint32_t selected = 0;
        random_columns(columns);
        Batch batch = batch_of(3, columns, RANDOM_ROWS);
        Expr *e = draw(2) ? random_boolean(4) : random_integer(4);
        check_random(e, &batch);
        for (uint32_t row = 0; row < RANDOM_ROWS; row++) {
            if (draw(3) == 0) selection[selected++] = (uint16_t)row;
        }
        batch.selection = selection;
        batch.selected = selected;
        check_random(e, &batch);
        arena_free(arena);
        arena = outer;
    }
}

/* A filter whose early conjuncts exclude the rows on which later ones raise. */
static void test_filter_order(void **state) {
    Expr *a = col(0, "integer");
    Vector columns[] = {COLUMN("integer", "0", "5", "10", "0", "20")};
    Batch batch = batch_of(1, columns, 5);
    Expr *raising = OP(gt, OP(divide, lit("integer", "100"), a), lit("integer", "5"));
    Expr *e = BOOL(EXPR_AND, raising, OP(ne, a, lit("integer", "0")));
    Evaluator *evaluator;
    uint16_t selection[5];
    uint32_t count;
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    ok(evaluator_filter(evaluator, 0, &batch, selection, &count, &error));
    assert_int_equal(count, 2);
    assert_int_equal(selection[0], 1);
    assert_int_equal(selection[1], 2);
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&raising, &evaluator, &error));
    assert_int_equal(evaluator_filter(evaluator, 0, &batch, selection, &count, &error), TRIB_DATA);
    assert_string_equal(error.message, "division by zero: 100 / 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_three_values, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_absorbed, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_in, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_long_in, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_branch_types, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_messages, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_message_of_branch, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_fold, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_print, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_equal_and_flatten, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_may_raise, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_filter_order, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_random_expressions, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
