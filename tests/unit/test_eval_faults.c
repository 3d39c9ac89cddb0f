/*
 * test_eval_faults.c - every failed allocation while expressions are resolved, built, evaluated and
 * aggregated is an error (or is survived with the right result), never a crash. Needs --enable-faults;
 * without it nothing fails and one round is enough.
 */
#include "tests/unit/eval_support.h"

static uint64_t countdown;

/* The whole life of some expressions in a fresh arena; TRIB_OK only with the right results. */
static Status resolve_call(Arena *a, const char *name, uint32_t nargs, Expr *const *args,
                           Expr **out) {
    Type types[4];
    Expr *coerced[4];
    ResolvedFunction f;
    for (uint32_t i = 0; i < nargs; i++) {
        if (args[i] == NULL) return error_out_of_memory(&error);
        types[i] = args[i]->type;
    }
    TRY(function_resolve(a, str_from(name), nargs, types, &f, &error));
    for (uint32_t i = 0; i < nargs; i++) coerced[i] = expr_cast(a, args[i], f.args[i], false);
    TRY_ALLOC(*out, expr_call(a, &f, nargs, coerced), &error);
    return TRIB_OK;
}

static Status build(Arena *a, Expr **out) {
    Type text = type_varchar(0), array;
    TRY(type_parse(a, STR("array(row(a bigint, b varchar))"), &array, &error));
    Expr *column = expr_column(a, 0, text);
    Value longer = {.type = text, .as.text = {"a longer constant text", 22}};
    Expr *constant = expr_constant(a, longer), *joined, *upper, *padded, *cut;
    Expr *size = expr_constant(a, (Value){.type = TYPE(BIGINT), .as.integer = 40});
    TRY(resolve_call(a, "concat", 2, (Expr *const[]){column, constant}, &joined));
    TRY(resolve_call(a, "upper", 1, (Expr *const[]){joined}, &upper));
    TRY(resolve_call(a, "lpad", 3, (Expr *const[]){upper, size, constant}, &padded));
    TRY(resolve_call(a, "split_part", 3, (Expr *const[]){padded, constant, size}, &cut));
    Expr *is_null = expr_new(a, EXPR_IS_NULL, TYPE(BOOLEAN), 1, (Expr *const[]){column});
    Expr *in = expr_new(a, EXPR_IN, TYPE(BOOLEAN), 3, (Expr *const[]){column, constant, constant});
    Expr *either = expr_boolean(a, EXPR_OR, 2, (Expr *const[]){is_null, in});
    Expr *all = expr_new(a, EXPR_CASE, text, 3, (Expr *const[]){either, padded, cut});
    Expr *json = expr_cast(a, expr_new(a, EXPR_COALESCE, text, 2, (Expr *const[]){all, column}),
                           TYPE(JSON), false);
    TRY_ALLOC(*out, expr_new(a, EXPR_TRY, TYPE(JSON), 1, (Expr *const[]){json}), &error);
    return TRIB_OK;
}

/* x -> x || column */
typedef struct Body {
    Arena *arena;
    Expr *body;
} Body;

static Status bind_body(void *context, uint32_t arg, uint32_t nparams, const Type *params,
                        Type *result, Error *err) {
    Body *self = context;
    Expr *x = expr_new(self->arena, EXPR_VARIABLE, params[0], 0, NULL);
    if (x == NULL) return error_out_of_memory(err);
    x->as.variable.name = "x";
    Expr *column = expr_column(self->arena, 0, type_varchar(0));
    Status status = resolve_call(self->arena, "concat", 2, (Expr *const[]){x, column}, &self->body);
    if (status != TRIB_OK) {
        *err = error;
        return status;
    }
    *result = self->body->type;
    return TRIB_OK;
}

/* array_distinct(transform(ARRAY[column, 'a longer ...'], x -> x || column))[1] */
static Status build_nested(Arena *a, Expr **out) {
    static const char *const names[] = {"x"};
    Type text = type_varchar(0);
    Value longer = {.type = text, .as.text = {"a longer constant text", 22}};
    Expr *elements[2] = {expr_column(a, 0, text), expr_constant(a, longer)}, *array, *all;
    Expr *one = expr_constant(a, (Value){.type = TYPE(BIGINT), .as.integer = 1});
    ResolvedFunction f;
    if (elements[0] == NULL || elements[1] == NULL) return error_out_of_memory(&error);
    TRY(function_resolve_id(a, TRIB_FN_array_new, 2, (const Type[]){text, text}, &f, &error));
    TRY_ALLOC(array, expr_call(a, &f, 2, elements), &error);
    Body body = {.arena = a};
    LambdaBinder lambdas = {.context = &body, .bind = bind_body};
    Type types[2] = {array->type, {.id = TRIB_TYPE_FUNCTION, .length = 1}};
    TRY(function_resolve_lambda(a, STR("transform"), 2, types, &lambdas, &f, &error));
    Expr *args[2] = {array, expr_new(a, EXPR_LAMBDA, f.args[1], 1, &body.body)};
    if (args[1] == NULL) return error_out_of_memory(&error);
    args[1]->as.names = names;
    TRY_ALLOC(all, expr_call(a, &f, 2, args), &error);
    TRY(resolve_call(a, "array_distinct", 1, (Expr *const[]){all}, &all));
    return resolve_call(a, "element_at", 2, (Expr *const[]){all, one}, out);
}

static Status run_nested(Arena *a, const Vector *columns, bool *right) {
    Expr *e;
    Evaluator *evaluator;
    Vector v;
    Value value;
    TRY(build_nested(a, &e));
    TRY(evaluator_new(a, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    for (uint32_t form = 0; form < 2; form++) {
        Batch batch = {.count = 3, .selected = 3, .ncolumns = 1, .arena = a};
        batch.columns = (Vector *)&columns[form];
        TRY(evaluator_run(evaluator, 0, &batch, &v, &error));
        TRY(vector_value(a, &v, 0, &value, &error));
        *right = *right && value.as.text.length == 2 && memcmp(value.as.text.data, "xx", 2) == 0;
        TRY(vector_value(a, &v, 1, &value, &error));
        *right = *right && value.is_null;
    }
    return TRIB_OK;
}

static Status run(Arena *a, const Vector *columns, bool *right) {
    Expr *e, *folded;
    Evaluator *evaluator;
    Vector v, copy;
    Value value;
    ResolvedAggregate r;
    TRY(build(a, &e));
    TRY(expr_fold(a, &session, e, &folded, &error));
    TRY(evaluator_new(a, &session, 1, (const Expr *const *)&folded, &evaluator, &error));
    for (uint32_t form = 0; form < 2; form++) {
        Batch batch = {.count = 3, .selected = 3, .ncolumns = 1, .arena = a};
        batch.columns = (Vector *)&columns[form];
        TRY(evaluator_run(evaluator, 0, &batch, &v, &error));
        TRY(vector_new(a, e->type, 1, &copy, &error));
        TRY(vector_append(a, &copy, 0, &v, NULL, 3, &error));
        TRY(vector_value(a, &copy, 0, &value, &error));
        *right = *right && value.as.text.length == 3 && memcmp(value.as.text.data, "\"x\"", 3) == 0;
        TRY(vector_value(a, &copy, 1, &value, &error));
        *right = *right && value.is_null;
    }
    TRY(aggregate_resolve(a, STR("max"), 1, &copy.type, &r, &error) == TRIB_OK ? TRIB_INTERNAL
                                                                               : TRIB_OK);
    TRY(aggregate_resolve(a, STR("any_value"), 1, &columns[0].type, &r, &error));
    uint64_t state[8];
    uint8_t *states[3] = {(uint8_t *)state, (uint8_t *)state, (uint8_t *)state};
    r.aggregate->init(state, r.args, r.result);
    TRY(r.aggregate->update(r.aggregate, 1, columns, NULL, 3, states, 0, a, &error));
    TRY(vector_new(a, r.result, 1, &copy, &error));
    return r.aggregate->finish(r.aggregate, states, 0, 1, &copy, a, &error);
}

static void fail_each(Status (*life)(Arena *, const Vector *, bool *)) {
    Vector columns[2];
    columns[0] = COLUMN("varchar", "x", NULL, "a text of more than twelve bytes");
    Vector *entries = ARENA_NEW(arena, Vector);
    *entries = columns[0];
    static const uint32_t indices[] = {0, 1, 2};
    columns[1] = (Vector){.type = entries->type,
                          .physical = entries->physical,
                          .form = VECTOR_DICTIONARY,
                          .entries = 3,
                          .nchildren = 1,
                          .children = entries,
                          .indices = indices,
                          .dictionary_id = dictionary_identity()};
    Status status = TRIB_MEMORY;
    for (countdown = 1; countdown < 4000; countdown++) {
        bool right = true;
        error_clear(&error);
        heap_fail_at(countdown);
        Arena *a = arena_new(NULL);
        status = a == NULL ? TRIB_MEMORY : life(a, columns, &right);
        heap_fail_at(0);
        arena_free(a);
        if (status == TRIB_OK) {
            assert_true(right);
        } else if (status != TRIB_MEMORY) {
            fail_msg("after %u: %s %s", (unsigned)countdown, error.sqlstate, error.message);
        }
        if (status == TRIB_OK && countdown > 100) break;
    }
    ok(status);
}

static void test_faults(void **state) {
    fail_each(run);
}

static void test_lambda_faults(void **state) {
    fail_each(run_nested);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_faults, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_lambda_faults, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
