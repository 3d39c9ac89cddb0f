/*
 * test_eval_forms.c - every function and cast gives the same in every form of its arguments.
 *
 * For each row of the registry (and each pair of castable types) arguments are drawn from pools of
 * awkward values. The expression is evaluated row by row with constants, which is the reference, and
 * then over batches: flat, with a selection, with dictionaries (with and without an identity, with
 * NULL indices that point nowhere), with some arguments constant. Values, NULLs and which rows raise
 * must agree; without TRY, the first raising row must be reported with the reference's message.
 */
#include "engine/base/module.h"
#include "tests/unit/eval_support.h"
#include "tests/unit/test_base.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define REPEATS 1 /* draws of arguments for each function */
#else
#define REPEATS 4
#endif
#define ROWS     96
#define MAX_ARGS 4

typedef struct Pool {
    const char *type;
    const char *values[14];
} Pool;

static const Pool pools[] = {
    {"boolean", {"true", "false"}},
    {"tinyint", {"0", "1", "-1", "127", "-128", "7"}},
    {"smallint", {"0", "1", "-1", "32767", "-32768", "100"}},
    {"integer", {"0", "1", "-1", "2147483647", "-2147483648", "12", "3"}},
    {"bigint",
     {"0", "1", "-1", "9223372036854775807", "-9223372036854775808", "5", "2", "1000000"}},
    {"real", {"0", "-0", "1.5", "-2.25", "NaN", "Infinity", "3e38"}},
    {"double", {"0", "-0", "1.5", "-2.25", "NaN", "-Infinity", "1e300", "0.1", "7"}},
    {"decimal(9,2)", {"0", "1.25", "-9999999.99", "9999999.99", "0.01", "-0.50"}},
    {"decimal(38,6)", {"0", "1.25", "-99999999999999999999999999999999.999999", "0.000001", "7"}},
    {"varchar",
     {"", "a", "abc", "hello, w\u00f6rld", "12", "2024-01-05", "day", "hour", "month", "%a%",
      "exactly12byt", "thirteen byte", "\U0001f600 smile and more text"}},
    {"char(4)", {"", "a", "ab", "abcd"}},
    {"varbinary", {"", "abc", "a longer run of bytes"}},
    {"date", {"1970-01-01", "2024-02-29", "1969-12-31", "9999-12-31", "-0001-01-01", "2021-01-03"}},
    {"time(3)", {"00:00:00", "23:59:59.999", "12:34:56.789"}},
    {"time(3) with time zone", {"10:00:00+02:00", "23:59:59.999-05:30"}},
    {"timestamp(3)", {"1970-01-01 00:00:00", "2024-02-29 23:59:59.999", "1969-12-31 12:00:00.001"}},
    {"timestamp(9)", {"1970-01-01 00:00:00.000000001", "2024-02-29 23:59:59.999999999"}},
    {"timestamp(3) with time zone",
     {"2024-03-31 02:30:00 Europe/Berlin", "1970-01-01 00:00:00 UTC",
      "2024-10-27 02:30:00 Europe/Berlin"}},
    {"interval year to month", {"0-0", "1-6", "-0-1", "100-0"}},
    {"interval day to second", {"0 00:00:00", "1 00:00:00", "-1 12:30:00.5", "0 00:00:00.001"}},
    {"uuid", {"12345678-9abc-def0-1234-56789abcdef0", "00000000-0000-0000-0000-000000000000"}},
    {"json", {"1", "\"a\"", "[1, 2]", "null", "true", "bad"}},
};

static uint64_t seed = 88172645463325252u;

static uint32_t draw(uint32_t bound) {
    return (uint32_t)(test_random(&seed) % bound);
}

static uint32_t pool_size(const Pool *p) {
    uint32_t n = 0;
    while (n < COUNT_OF(p->values) && p->values[n] != NULL) n++;
    return n;
}

/* A value of a pool; json text is no cast but the value itself. */
static Value pool_value(const Pool *p, uint32_t index) {
    if (strcmp(p->type, "json") == 0 || strcmp(p->type, "varbinary") == 0) {
        Value value = text_value(p->values[index]);
        value.type = typ(p->type);
        return value;
    }
    return val(p->type, p->values[index]);
}

/* ---------------------------------------------------------------- one expression */

typedef struct Trial {
    const char *name;
    uint32_t nargs;
    const Pool *pools[MAX_ARGS];
    uint8_t choice[MAX_ARGS][ROWS]; /* index into the pool; 255 = NULL */
    Expr *(*build)(const struct Trial *t, Expr **args);
    const Function *function;
    ResolvedFunction resolved;
    Type target; /* of casts */
    const char *expected[ROWS];
    const char *message[ROWS]; /* NULL = does not raise */
} Trial;

static Value trial_value(const Trial *t, uint32_t arg, uint32_t row) {
    if (t->choice[arg][row] == 255)
        return (Value){.type = typ(t->pools[arg]->type), .is_null = true};
    return pool_value(t->pools[arg], t->choice[arg][row]);
}

/* The overload is looked for once: the types are the same in every form. */
static bool trial_resolve(Trial *t) {
    Type types[MAX_ARGS] = {{0}};
    for (uint32_t i = 0; i < t->nargs; i++) types[i] = typ(t->pools[i]->type);
    return function_resolve_id(arena, (TribFunctionId)t->function->id, t->nargs, types,
                               &t->resolved, &error) == TRIB_OK &&
           t->resolved.function->stability != STABILITY_VOLATILE;
}

static Expr *build_function(const Trial *t, Expr **args) {
    Expr *own[MAX_ARGS];
    memcpy(own, args, sizeof(own));
    return resolved(&t->resolved, t->nargs, own);
}

static Expr *build_cast(const Trial *t, Expr **args) {
    return expr_cast(arena, args[0], t->target, false);
}

static void trial_reference(Trial *t) {
    for (uint32_t row = 0; row < ROWS; row++) {
        Expr *args[MAX_ARGS] = {0};
        for (uint32_t i = 0; i < t->nargs; i++) {
            args[i] = expr_constant(arena, trial_value(t, i, row));
        }
        const char *text = eval_text(t->build(t, args));
        t->message[row] = text[0] == '!' && strlen(text) > 6 ? text : NULL;
        t->expected[row] = t->message[row] != NULL ? "NULL" : text;
    }
}

/* ---------------------------------------------------------------- forms of columns */

typedef enum { FORM_FLAT, FORM_DICTIONARY, FORM_IDENTIFIED, FORM_CONSTANT, FORM_COUNT } Form;

static Vector trial_column(const Trial *t, uint32_t arg, Form form, uint32_t constant_row) {
    Vector v;
    if (form == FORM_CONSTANT) {
        Value value = trial_value(t, arg, constant_row);
        ok(vector_constant(arena, &value, &v, &error));
        return v;
    }
    if (form == FORM_FLAT) {
        ok(vector_new(arena, typ(t->pools[arg]->type), ROWS, &v, &error));
        /* What stands behind NULL must not matter. */
        size_t size = physical_size((PhysicalType)v.physical);
        memset(v.data, 0xA5, ROWS * size);
        for (uint32_t row = 0; row < ROWS; row++) {
            Value value = trial_value(t, arg, row);
            ok(vector_set(arena, &v, row, &value, &error));
        }
        return v;
    }
    Vector *entries = ARENA_NEW(arena, Vector);
    uint32_t n = pool_size(t->pools[arg]);
    ok(vector_new(arena, typ(t->pools[arg]->type), n, entries, &error));
    for (uint32_t i = 0; i < n; i++) {
        Value value = pool_value(t->pools[arg], i);
        ok(vector_set(arena, entries, i, &value, &error));
    }
    uint32_t *indices = ARENA_ARRAY(arena, uint32_t, ROWS);
    v = (Vector){.type = entries->type,
                 .physical = entries->physical,
                 .form = VECTOR_DICTIONARY,
                 .capacity = ROWS,
                 .entries = n,
                 .nchildren = 1,
                 .children = entries,
                 .indices = indices};
    if (form == FORM_IDENTIFIED) v.dictionary_id = dictionary_identity();
    for (uint32_t row = 0; row < ROWS; row++) {
        bool null = t->choice[arg][row] == 255;
        indices[row] = null ? 0xdeadbeef : t->choice[arg][row];
        if (!null) continue;
        ok(vector_need_validity(arena, &v, &error));
        bitmap_unset(v.validity, row);
    }
    return v;
}

static void compare_rows(const Trial *t, const Vector *v, const uint16_t *selection, uint32_t count,
                         const char *what) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        Value value;
        ok(vector_value(arena, v, row, &value, &error));
        const char *text = text_of(&value);
        if (strcmp(text, t->expected[row]) != 0) {
            Value a = t->nargs > 0 ? trial_value(t, 0, row) : (Value){.is_null = true};
            Value b = t->nargs > 1 ? trial_value(t, 1, row) : (Value){.is_null = true};
            fail_msg("%s (%s) row %u (%s, %s): '%s' instead of '%s'", t->name, what, row,
                     text_of(&a), text_of(&b), text, t->expected[row]);
        }
    }
}

/* Evaluates with TRY (values) and without (the first raising row). */
static void trial_run(const Trial *t, Expr *e, const Batch *batch, const char *what) {
    Evaluator *evaluator;
    Vector v;
    Expr *tried = NODE(EXPR_TRY, e->type, e);
    const Expr *exprs[] = {tried, e};
    ok(evaluator_new(arena, &session, 2, exprs, &evaluator, &error));
    for (int round = 0; round < 2; round++) { /* the second time with everything cached */
        ok(evaluator_run(evaluator, 0, batch, &v, &error));
        assert_true(type_equal(v.type, e->type));
        compare_rows(t, &v, batch->selection, batch->selected, what);
        evaluator_reset(evaluator);
    }
    const char *message = NULL;
    for (uint32_t i = 0; i < batch->selected && message == NULL; i++) {
        message = t->message[batch_row(batch, i)];
    }
    Status status = evaluator_run(evaluator, 1, batch, &v, &error);
    if (message == NULL) {
        ok(status);
        return;
    }
    assert_true(e->may_raise);
    const char *got = arena_printf(arena, "!%s %s", error.sqlstate, error.message);
    if (status == TRIB_OK || strcmp(got, message) != 0) {
        fail_msg("%s (%s): '%s' instead of '%s'", t->name, what, status ? got : "", message);
    }
}

static void trial_forms(Trial *t) {
    uint16_t selection[ROWS];
    uint32_t selected = 0;
    for (uint32_t row = 0; row < ROWS; row++) {
        if (draw(3) == 0) selection[selected++] = (uint16_t)row;
    }
    for (uint32_t shape = 0; shape < 6; shape++) {
        Vector columns[MAX_ARGS];
        Expr *args[MAX_ARGS] = {0};
        Trial same = *t; /* with one row's value all through where a column is constant */
        uint32_t constant_row = draw(ROWS);
        for (uint32_t i = 0; i < t->nargs; i++) {
            Form form = shape == 0 ? FORM_FLAT : (Form)draw(FORM_COUNT);
            columns[i] = trial_column(t, i, form, constant_row);
            args[i] = expr_column(arena, i, typ(t->pools[i]->type));
            if (form != FORM_CONSTANT) continue;
            for (uint32_t row = 0; row < ROWS; row++)
                same.choice[i][row] = t->choice[i][constant_row];
        }
        trial_reference(&same);
        Batch batch = batch_of(t->nargs, columns, ROWS);
        Expr *e = t->build(t, args);
        assert_non_null(e);
        trial_run(&same, e, &batch, "all rows");
        batch.selection = selection;
        batch.selected = selected;
        trial_run(&same, e, &batch, "selection");
    }
}

static void trial_draw(Trial *t) {
    for (uint32_t i = 0; i < t->nargs; i++) {
        bool nulls = draw(2) == 0;
        for (uint32_t row = 0; row < ROWS; row++) {
            uint32_t n = pool_size(t->pools[i]);
            t->choice[i][row] = nulls && draw(5) == 0 ? 255 : (uint8_t)draw(n);
        }
    }
}

/* ---------------------------------------------------------------- all functions, all casts */

/* Pools for the parameters of a signature: by type's name, any for letters. */
static bool pools_of(const Function *f, Trial *t) {
    const char *at = f->signature;
    t->nargs = 0;
    if (strchr(at, '(') != NULL || strstr(at, "any") != NULL) return false;
    uint32_t letter_pool = draw(COUNT_OF(pools));
    while (*at != '\0' && !(at[0] == '-' && at[1] == '>')) {
        size_t len = strcspn(at, ",-");
        Str word = str_trim((Str){at, len});
        if (word.len > 3 && memcmp(word.data + word.len - 3, "...", 3) == 0) word.len -= 3;
        at += len;
        if (*at == ',') at++;
        while (*at == ' ') at++;
        if (word.len == 0) continue;
        if (t->nargs == MAX_ARGS) return false;
        const Pool *found = NULL;
        if (word.len == 1 && word.data[0] != 'V') found = &pools[letter_pool];
        if (word.len == 1 && word.data[0] == 'V') word = STR("varchar");
        for (uint32_t tries = 0; tries < 200 && found == NULL; tries++) {
            const Pool *p = &pools[draw(COUNT_OF(pools))];
            if (typ(p->type).id == typ(arena_printf(arena, "%.*s", STR_ARGS(word))).id) found = p;
        }
        if (found == NULL) return false;
        t->pools[t->nargs++] = found;
    }
    return true;
}

static void test_functions(void **state) {
    uint32_t tried = 0;
    ok(module_search(STR(".libs"), &error)); /* of the build: the tests run in its folder */
    for (uint32_t i = 0; function_row(i) != NULL; i++) {
        for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
            Arena *outer = arena;
            arena = arena_new(NULL);
            Trial *t = ARENA_NEW(arena, Trial);
            t->function = function_row(i);
            t->name = arena_printf(arena, "%s(%s)", t->function->name, t->function->signature);
            t->build = build_function;
            if (pools_of(t->function, t)) {
                trial_draw(t);
                if (trial_resolve(t)) {
                    trial_forms(t);
                    tried++;
                }
            }
            arena_free(arena);
            arena = outer;
        }
    }
    assert_true(tried > 175 * REPEATS);
}

static void test_casts(void **state) {
    static const char *const more[] = {
        "varchar(3)",   "char(6)",      "decimal(5,1)", "decimal(20,4)",
        "timestamp(0)", "timestamp(6)", "time(0)",      "timestamp(9) with time zone"};
    for (uint32_t from = 0; from < COUNT_OF(pools); from++) {
        for (uint32_t to = 0; to < COUNT_OF(pools) + COUNT_OF(more); to++) {
            Arena *outer = arena;
            arena = arena_new(NULL);
            const char *target = to < COUNT_OF(pools) ? pools[to].type : more[to - COUNT_OF(pools)];
            Trial *t = ARENA_NEW(arena, Trial);
            t->name = arena_printf(arena, "cast %s to %s", pools[from].type, target);
            t->build = build_cast;
            t->target = typ(target);
            t->nargs = 1;
            t->pools[0] = &pools[from];
            trial_draw(t);
            if (type_castable(typ(pools[from].type), t->target)) trial_forms(t);
            arena_free(arena);
            arena = outer;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_functions, arena_setup, arena_teardown),
        cmocka_unit_test_setup_teardown(test_casts, arena_setup, arena_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
