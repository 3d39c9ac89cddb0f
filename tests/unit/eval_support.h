/*
 * eval_support.h - short ways to build expressions and batches in tests.
 *
 * Everything lives in one arena per test; failures to build are failures of the test.
 */
#ifndef TRIB_TESTS_EVAL_SUPPORT_H
#define TRIB_TESTS_EVAL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/base/calendar.h"
#include "engine/expr/expr.h"

static Arena *arena;
static Error error;
static EvalSession session = {.now_us = INT64_C(1718454896789123),
                              .zone = ZONE_UTC,
                              .random_seed = 42,
                              .max_value_size = 1 << 20};

static int arena_setup(void **state) {
    (void)state;
    arena = arena_new(NULL);
    session.user = STR("ada");
    session.catalog = STR("shop");
    session.schema = STR("");
    return arena == NULL;
}

static int arena_teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static inline void ok(Status status) {
    if (status != TRIB_OK) fail_msg("%s: %s", error.sqlstate, error.message);
}

/* ---------------------------------------------------------------- types and literals */

static inline Type typ(const char *text) {
    Type type;
    ok(type_parse(arena, str_from(text), &type, &error));
    return type;
}

static inline Value text_value(const char *text) {
    return (Value){.type = type_varchar(0), .as.text = {text, strlen(text)}};
}

/* A literal by CAST of its text; NULL text = NULL. */
static inline Value val(const char *type, const char *text) {
    Value from, out;
    if (text == NULL) return (Value){.type = typ(type), .is_null = true};
    from = text_value(text);
    ok(value_cast(arena, &session, &from, typ(type), &out, &error));
    return out;
}

static inline Expr *lit(const char *type, const char *text) {
    return expr_constant(arena, val(type, text));
}

static inline Expr *col(uint32_t ordinal, const char *type) {
    return expr_column(arena, ordinal, typ(type));
}

/* ---------------------------------------------------------------- calls, coerced as a binder does */

static inline Expr *resolved(const ResolvedFunction *f, uint32_t nargs, Expr **args) {
    for (uint32_t i = 0; i < nargs; i++) args[i] = expr_cast(arena, args[i], f->args[i], false);
    return expr_call(arena, f, nargs, args);
}

static inline Expr *fn_args(const char *name, uint32_t nargs, Expr **args) {
    Type types[16] = {{0}};
    ResolvedFunction f;
    for (uint32_t i = 0; i < nargs; i++) types[i] = args[i]->type;
    ok(function_resolve(arena, str_from(name), nargs, types, &f, &error));
    return resolved(&f, nargs, args);
}

static inline Expr *op_args(int id, uint32_t nargs, Expr **args) {
    Type types[16] = {{0}};
    ResolvedFunction f;
    for (uint32_t i = 0; i < nargs; i++) types[i] = args[i]->type;
    ok(function_resolve_id(arena, (TribFunctionId)id, nargs, types, &f, &error));
    return resolved(&f, nargs, args);
}

#define ARGS(...)                                                    \
    (sizeof((Expr *[]){__VA_ARGS__}) / sizeof(Expr *)), (Expr *[]) { \
        __VA_ARGS__                                                  \
    }
#define CALL(name, ...)       fn_args(name, ARGS(__VA_ARGS__))
#define OP(id, ...)           op_args(TRIB_FN_##id, ARGS(__VA_ARGS__))
#define BOOL(kind, ...)       expr_boolean(arena, kind, ARGS(__VA_ARGS__))
#define NODE(kind, type, ...) expr_new(arena, kind, type, ARGS(__VA_ARGS__))
#define CAST(e, type)         expr_cast(arena, e, typ(type), false)
#define TRY_CAST(e, type)     expr_cast(arena, e, typ(type), true)

/* ---------------------------------------------------------------- columns */

/* A FLAT column of literals given as text. */
static inline Vector column(const char *type, uint32_t count, const char *const *texts) {
    Vector v;
    ok(vector_new(arena, typ(type), count, &v, &error));
    for (uint32_t i = 0; i < count; i++) {
        Value value = val(type, texts[i]);
        ok(vector_set(arena, &v, i, &value, &error));
    }
    return v;
}
#define COLUMN(type, ...)                                                \
    column(type, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
           (const char *[]){__VA_ARGS__})

static inline Batch batch_of(uint32_t ncolumns, const Vector *columns, uint32_t count) {
    Batch batch = {.count = count, .selected = count, .ncolumns = ncolumns, .arena = arena};
    batch.columns = ARENA_ARRAY(arena, Vector, ncolumns);
    if (ncolumns > 0) memcpy(batch.columns, columns, ncolumns * sizeof(Vector));
    return batch;
}

/* ---------------------------------------------------------------- evaluation to text */

static inline const char *text_of(const Value *value) {
    Buf out;
    buf_init(&out, arena, 1 << 20);
    value_text(&out, value);
    return value->is_null ? "NULL" : buf_view(&out).data;
}

/* The value of an expression without columns as text, or "!SQLSTATE message". */
static inline const char *eval_text(Expr *e) {
    Evaluator *evaluator;
    Batch batch = {.count = 1, .selected = 1, .arena = arena};
    Vector v;
    Value value;
    assert_non_null(e);
    ok(evaluator_new(arena, &session, 1, (const Expr *const *)&e, &evaluator, &error));
    Status status = evaluator_run(evaluator, 0, &batch, &v, &error);
    if (status != TRIB_OK) return arena_printf(arena, "!%s %s", error.sqlstate, error.message);
    ok(vector_value(arena, &v, 0, &value, &error));
    value.type = e->type;
    return text_of(&value);
}

/* "type|text" as a literal, "type" alone as NULL. */
static inline Expr *spec(const char *text) {
    const char *bar = strchr(text, '|');
    if (bar == NULL) return lit(text, NULL);
    return lit(arena_printf(arena, "%.*s", (int)(bar - text), text), bar + 1);
}

/* A call by the function's name, an operator by its id's name, or "cast:type". */
static inline Expr *call_named(const char *name, uint32_t nargs, Expr **args) {
    if (strncmp(name, "cast:", 5) == 0) return expr_cast(arena, args[0], typ(name + 5), false);
    if (function_exists(str_from(name))) return fn_args(name, nargs, args);
    for (uint32_t i = 0; function_row(i) != NULL; i++) {
        if (strcmp(function_row(i)->name, name) == 0) {
            return op_args(function_row(i)->id, nargs, args);
        }
    }
    fail_msg("no function %s", name);
    return NULL;
}

/* Errors ("!...") are compared as a prefix. */
static inline void assert_value_at(Expr *e, const char *expected, const char *file, int line) {
    const char *got = eval_text(e);
    size_t len = expected[0] == '!' ? strlen(expected) : strlen(expected) + 1;
    if (strncmp(got, expected, len) != 0) {
        print_error("%s instead of %s\n", got, expected);
        _fail(file, line);
    }
}
#define assert_value(e, expected) assert_value_at(e, expected, __FILE__, __LINE__)

#endif
