/*
 * conform_expr.c - expressions: their evaluation by the engine's rules, and conditions worth trying.
 *
 * The evaluator is meant to be plainly right rather than fast: three-valued logic, comparison by code
 * point, IEEE floats (a comparison with NaN is false, <> with NaN is true), integers that do not
 * overflow because the generator keeps away from it.
 */
#include "tests/connectors/conform.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/calendar.h"
#include "engine/base/number.h"

static void *must(void *memory) {
    if (!memory) abort();
    return memory;
}

/* ---------------------------------------------------------------- building */

Expr *expr_column(Arena *arena, const TribTable *table, uint32_t column) {
    Expr *expr = must(ARENA_NEW(arena, Expr));
    *expr = (Expr){.kind = TRIB_NODE_COLUMN, .type = table->columns[column].type, .column = column};
    return expr;
}

Expr *expr_literal(Arena *arena, const TribValue *value) {
    Expr *expr = must(ARENA_NEW(arena, Expr));
    *expr = (Expr){.kind = TRIB_NODE_LITERAL, .type = value->type, .value = *value};
    return expr;
}

Expr *expr_call(Arena *arena, uint16_t op, uint8_t type, uint32_t count, Expr *const *arguments) {
    Expr *expr = must(ARENA_NEW(arena, Expr));
    *expr = (Expr){.kind = TRIB_NODE_CALL, .op = op, .type = {.id = type}, .count = count};
    expr->arguments = must(ARENA_ARRAY(arena, Expr *, count));
    for (uint32_t i = 0; i < count; i++) expr->arguments[i] = arguments[i];
    return expr;
}

#define CALL(arena, op, type, ...)                                                          \
    expr_call((arena), TRIB_FN_##op, TRIB_TYPE_##type, COUNT_OF(((Expr *[]){__VA_ARGS__})), \
              (Expr *[]){__VA_ARGS__})

/* ---------------------------------------------------------------- evaluation */

typedef enum { NO, YES, MAYBE } Truth;

static TribValue truth_value(Truth truth) {
    TribValue value = {.type = {.id = TRIB_TYPE_BOOLEAN}, .is_null = truth == MAYBE};
    value.as.integer = truth == YES;
    return value;
}

static Truth value_truth(TribValue value) {
    return value.is_null ? MAYBE : value.as.integer ? YES : NO;
}

static Truth not_truth(Truth truth) {
    return truth == MAYBE ? MAYBE : truth == YES ? NO : YES;
}

static bool either_nan(const TribValue *a, const TribValue *b) {
    bool real = a->type.id == TRIB_TYPE_DOUBLE || a->type.id == TRIB_TYPE_REAL;
    return real && (isnan(a->as.real) || isnan(b->as.real));
}

static Truth compare(uint16_t op, const TribValue *a, const TribValue *b) {
    if (a->is_null || b->is_null) return MAYBE;
    if (either_nan(a, b)) return op == TRIB_FN_ne ? YES : NO;
    int order = value_compare(a, b);
    switch (op) {
    case TRIB_FN_eq: return order == 0 ? YES : NO;
    case TRIB_FN_ne: return order != 0 ? YES : NO;
    case TRIB_FN_lt: return order < 0 ? YES : NO;
    case TRIB_FN_le: return order <= 0 ? YES : NO;
    case TRIB_FN_gt: return order > 0 ? YES : NO;
    default: return order >= 0 ? YES : NO;
    }
}

/* Pattern matching by code points; `escape` 0 = none. */
static bool like(Str text, size_t t, Str pattern, size_t p, int32_t escape) {
    while (p < pattern.len) {
        int32_t c = utf8_next(pattern.data, pattern.len, &p);
        if (escape && c == escape) {
            c = utf8_next(pattern.data, pattern.len, &p);
        } else if (c == '%') {
            for (;;) {
                if (like(text, t, pattern, p, escape)) return true;
                if (t >= text.len) return false;
                utf8_next(text.data, text.len, &t);
            }
        } else if (c == '_') {
            if (t >= text.len) return false;
            utf8_next(text.data, text.len, &t);
            continue;
        }
        if (t >= text.len || utf8_next(text.data, text.len, &t) != c) return false;
    }
    return t == text.len;
}

static TribValue evaluate_like(const TribValue *a, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (a[i].is_null) return truth_value(MAYBE);
    }
    Str text = {a[0].as.text.data, a[0].as.text.length},
        pattern = {a[1].as.text.data, a[1].as.text.length};
    size_t at = 0;
    int32_t escape = count > 2 ? utf8_next(a[2].as.text.data, a[2].as.text.length, &at) : 0;
    return truth_value(like(text, 0, pattern, 0, escape) ? YES : NO);
}

static TribValue evaluate_in(const Expr *expr, const TribValue *row) {
    TribValue value = expr_evaluate(expr->arguments[0], row);
    Truth found = NO;
    for (uint32_t i = 1; i < expr->count; i++) {
        TribValue candidate = expr_evaluate(expr->arguments[i], row);
        Truth truth = compare(TRIB_FN_eq, &value, &candidate);
        if (truth == YES) return truth_value(YES);
        if (truth == MAYBE) found = MAYBE;
    }
    return truth_value(found);
}

static TribValue evaluate_arithmetic(const Expr *expr, const TribValue *a) {
    TribValue value = {.type = expr->type, .is_null = a[0].is_null || a[1].is_null};
    if (value.is_null) return value;
    int64_t x = a[0].as.integer, y = a[1].as.integer;
    switch (expr->op) {
    case TRIB_FN_add: value.as.integer = x + y; break;
    case TRIB_FN_subtract: value.as.integer = x - y; break;
    case TRIB_FN_multiply: value.as.integer = x * y; break;
    case TRIB_FN_divide: value.as.integer = x / y; break;
    default: value.as.integer = x % y; break;
    }
    return value;
}

static TribValue evaluate_cast(const Expr *expr, const TribValue *a) {
    static char text[8][NUMBER_TEXT_MAX]; /* a few at a time are enough */
    static int next;
    TribValue value = *a;
    value.type = expr->type;
    if (value.is_null || expr->type.id != TRIB_TYPE_VARCHAR) return value;
    char *room = text[next++ % 8];
    value.as.text.length = int64_format(a->as.integer, room);
    value.as.text.data = room;
    return value;
}

static Truth evaluate_logic(const Expr *expr, const TribValue *row) {
    bool conjunction = expr->op == TRIB_FN_and;
    Truth result = conjunction ? YES : NO;
    for (uint32_t i = 0; i < expr->count; i++) {
        Truth truth = value_truth(expr_evaluate(expr->arguments[i], row));
        if (truth == (conjunction ? NO : YES)) return truth;
        if (truth == MAYBE) result = MAYBE;
    }
    return result;
}

TribValue expr_evaluate(const Expr *expr, const TribValue *row) {
    TribValue a[4];
    if (expr->kind == TRIB_NODE_COLUMN) return row[expr->column];
    if (expr->kind == TRIB_NODE_LITERAL) return expr->value;
    if (expr->op == TRIB_FN_and || expr->op == TRIB_FN_or)
        return truth_value(evaluate_logic(expr, row));
    if (expr->op == TRIB_FN_in) return evaluate_in(expr, row);
    for (uint32_t i = 0; i < expr->count; i++) a[i] = expr_evaluate(expr->arguments[i], row);
    TribValue value;
    if (function_evaluate(expr, a, &value)) return value;
    switch (expr->op) {
    case TRIB_FN_not: return truth_value(not_truth(value_truth(a[0])));
    case TRIB_FN_is_null: return truth_value(a[0].is_null ? YES : NO);
    case TRIB_FN_is_not_null: return truth_value(a[0].is_null ? NO : YES);
    case TRIB_FN_is_distinct_from:
        if (a[0].is_null || a[1].is_null)
            return truth_value(a[0].is_null != a[1].is_null ? YES : NO);
        return truth_value(value_compare(&a[0], &a[1]) != 0 ? YES : NO);
    case TRIB_FN_between: {
        Truth low = compare(TRIB_FN_ge, &a[0], &a[1]), high = compare(TRIB_FN_le, &a[0], &a[2]);
        return truth_value(low == NO || high == NO         ? NO
                           : low == MAYBE || high == MAYBE ? MAYBE
                                                           : YES);
    }
    case TRIB_FN_like: return evaluate_like(a, expr->count);
    case TRIB_FN_add:
    case TRIB_FN_subtract:
    case TRIB_FN_multiply:
    case TRIB_FN_divide:
    case TRIB_FN_modulus: return evaluate_arithmetic(expr, a);
    case TRIB_FN_cast: return evaluate_cast(expr, a);
    default: return truth_value(compare(expr->op, &a[0], &a[1]));
    }
}

bool expr_true(const Expr *expr, const TribValue *row) {
    return value_truth(expr_evaluate(expr, row)) == YES;
}

/* ---------------------------------------------------------------- printing */

static const struct {
    uint16_t op;
    const char *name;
} op_names[] = {
#define FN(number, name, odbc_group, odbc_bit) {number, #name},
#define AGG(number, name, odbc_bit)            {number, #name},
#include "connectors/ids.def"
};

static const char *op_name(uint16_t op) {
    for (size_t i = 0; i < COUNT_OF(op_names); i++) {
        if (op_names[i].op == op) return op_names[i].name;
    }
    return "?";
}

void expr_print(Buf *out, const Expr *expr, const TribTable *table) {
    if (expr->kind == TRIB_NODE_COLUMN) {
        buf_text(out, table->columns[expr->column].name);
    } else if (expr->kind == TRIB_NODE_LITERAL) {
        value_print(out, &expr->value);
    } else {
        buf_printf(out, "%s(", op_name(expr->op));
        for (uint32_t i = 0; i < expr->count; i++) {
            if (i) buf_text(out, ", ");
            expr_print(out, expr->arguments[i], table);
        }
        buf_char(out, ')');
    }
}

/* ---------------------------------------------------------------- values to try */

uint64_t random_next(uint64_t *state) { /* splitmix64 (Steele, Lea, Flood 2014) */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

typedef struct ValuePool {
    Arena *arena;
    TribType type;
    TribValue values[64];
    uint32_t count;
} ValuePool;

/* CHAR values that differ in blanks at the end are two: the source must take them as equal. */
static bool pool_same(const TribValue *a, const TribValue *b) {
    if (a->is_null || b->is_null) return a->is_null && b->is_null;
    if (a->type.id == TRIB_TYPE_CHAR && a->as.text.length != b->as.text.length) return false;
    return value_compare(a, b) == 0;
}

static void pool_add(ValuePool *pool, TribValue value) {
    if (pool->count == COUNT_OF(pool->values)) return;
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool_same(&pool->values[i], &value)) return;
    }
    pool->values[pool->count++] = value;
}

static void pool_text(ValuePool *pool, const char *data, size_t length) {
    TribValue value = {.type = pool->type};
    value.as.text.data = data;
    value.as.text.length = length;
    pool_add(pool, value);
}

static void pool_integer(ValuePool *pool, int64_t number) {
    TribValue value = {.type = pool->type};
    value.as.integer = number;
    pool_add(pool, value);
}

static void pool_real(ValuePool *pool, double number) {
    TribValue value = {.type = pool->type};
    value.as.real = number;
    pool_add(pool, value);
}

static void pool_decimal(ValuePool *pool, const char *digits) {
    TribValue value = {.type = pool->type};
    __int128 number = 0;
    bool negative = *digits == '-';
    int most = pool->type.precision, used = 0;
    for (const char *c = digits + negative; *c && used < most; c++, used++)
        number = number * 10 + (*c - '0');
    if (negative) number = -number;
    if (pool->type.precision > 18)
        value.as.wide = number;
    else
        value.as.integer = (int64_t)number;
    pool_add(pool, value);
}

static void pool_hostile_text(ValuePool *pool) {
    static const struct {
        const char *data;
        size_t length;
    } texts[] = {
#define T(text) {text, sizeof text - 1}
        T(""),
        T("a"),
        T("A"),
        T("a "),
        T(" a"),
        T("a\t"),
        T("b"),
        T("ä"),
        T("Ä"),
        T("ß"),
        T("ss"),
        T("İ"),
        T("i"),
        T("ı"),
        T("I"),
        T("\xF0\x9F\x98\x80"),
        T("\xEF\xBF\xBD"),
        T("e\xCC\x81"),
        T("\xC3\xA9"),
        T("a\0b"),
        T("'\"`\\;--"),
        T("%"),
        T("_"),
        T("100"),
        T("1e2"),
        T("0x10"),
        T("NULL"),
        T("\xE6\x97\xA5\xE6\x9C\xAC"),
        T("zzzzzzzzzzzzzzzz"),
        T("abcdefghijklm"),
#undef T
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (pool->type.length && utf8_length(texts[i].data, texts[i].length) > pool->type.length)
            continue;
        pool_text(pool, texts[i].data, texts[i].length);
    }
}

static void pool_hostile(ValuePool *pool) {
    static const int64_t edges[] = {0,
                                    1,
                                    -1,
                                    2,
                                    127,
                                    -128,
                                    32767,
                                    -32768,
                                    INT32_MAX,
                                    INT32_MIN,
                                    INT64_MAX,
                                    INT64_MIN,
                                    INT64_C(9007199254740993)};
    static const int bits[] = {[TRIB_TYPE_TINYINT] = 8,
                               [TRIB_TYPE_SMALLINT] = 16,
                               [TRIB_TYPE_INTEGER] = 32,
                               [TRIB_TYPE_BIGINT] = 64};
    switch (pool->type.id) {
    case TRIB_TYPE_BOOLEAN:
        pool_integer(pool, 0);
        pool_integer(pool, 1);
        break;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
        for (size_t i = 0; i < COUNT_OF(edges); i++) {
            int shift = 64 - bits[pool->type.id];
            if ((int64_t)((uint64_t)edges[i] << shift) >> shift == edges[i])
                pool_integer(pool, edges[i]);
        }
        break;
    case TRIB_TYPE_DOUBLE:
        pool_real(pool, 9007199254740993.0), pool_real(pool, 1e308), pool_real(pool, 5e-324);
        /* fall through */
    case TRIB_TYPE_REAL:
        pool_real(pool, 0.0), pool_real(pool, 0.5), pool_real(pool, -1.5), pool_real(pool, 1),
            pool_real(pool, INFINITY);
        pool_real(pool, -INFINITY), pool_real(pool, (double)NAN);
        if (pool->type.id == TRIB_TYPE_DOUBLE) pool_real(pool, 0.1), pool_real(pool, 19.99);
        break;
    case TRIB_TYPE_DECIMAL:
        pool_decimal(pool, "0"), pool_decimal(pool, "1"), pool_decimal(pool, "-1"),
            pool_decimal(pool, "1999");
        pool_decimal(pool, "99999999999999999999999999999999999999");
        pool_decimal(pool, "-99999999999999999999999999999999999999");
        break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY: pool_hostile_text(pool); break;
    case TRIB_TYPE_DATE:
        pool_integer(pool, 0), pool_integer(pool, date_from_civil(1, 1, 1)),
            pool_integer(pool, date_from_civil(9999, 12, 31));
        pool_integer(pool, date_from_civil(2024, 2, 29)),
            pool_integer(pool, date_from_civil(-44, 3, 15));
        break;
    case TRIB_TYPE_TIME: pool_integer(pool, 0), pool_integer(pool, NS_PER_DAY - 1000000000); break;
    case TRIB_TYPE_TIMESTAMP:
        if (pool->type.precision > 6) break;
        pool_integer(pool, 0), pool_integer(pool, date_from_civil(2024, 2, 29) * US_PER_DAY),
            pool_integer(pool, -US_PER_SECOND);
        break;
    default: break;
    }
}

static void pool_fill(ValuePool *pool, Arena *arena, const TribTable *table, const Rows *rows,
                      uint32_t column) {
    *pool = (ValuePool){.arena = arena, .type = table->columns[column].type};
    size_t step = rows->count > 24 ? rows->count / 24 : 1;
    for (size_t i = 0; i < rows->count; i += step) pool_add(pool, rows_at(rows, i)[column]);
    pool_hostile(pool);
    TribValue null = {.type = pool->type, .is_null = true};
    pool_add(pool, null);
}

/* ---------------------------------------------------------------- conditions to try */

typedef struct Conditions {
    Arena *arena;
    const TribTable *table;
    Expr **list;
    uint32_t count, capacity;
    uint64_t random;
} Conditions;

static void conditions_add(Conditions *self, Expr *expr) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 256;
        Expr **list = must(ARENA_ARRAY(self->arena, Expr *, capacity));
        if (self->count) memcpy(list, self->list, self->count * sizeof *list);
        self->list = list;
        self->capacity = capacity;
    }
    self->list[self->count++] = expr;
}

static const TribValue *pick(Conditions *self, const ValuePool *pool) {
    return &pool->values[random_next(&self->random) % pool->count];
}

static void add_comparisons(Conditions *self, uint32_t column, const ValuePool *pool) {
    static const uint16_t ops[] = {TRIB_FN_eq,
                                   TRIB_FN_ne,
                                   TRIB_FN_lt,
                                   TRIB_FN_le,
                                   TRIB_FN_gt,
                                   TRIB_FN_ge,
                                   TRIB_FN_is_distinct_from};
    Arena *arena = self->arena;
    for (uint32_t i = 0; i < pool->count; i++) {
        for (size_t o = 0; o < COUNT_OF(ops); o++) {
            Expr *pair[] = {expr_column(arena, self->table, column),
                            expr_literal(arena, &pool->values[i])};
            Expr *expr = expr_call(arena, ops[o], TRIB_TYPE_BOOLEAN, 2, pair);
            conditions_add(self, expr);
            if ((i + o) % 3 == 0) conditions_add(self, CALL(arena, not, BOOLEAN, expr));
            if ((i + o) % 11 == 0)
                conditions_add(self, expr_call(arena, ops[o], TRIB_TYPE_BOOLEAN, 2,
                                               (Expr *[]){pair[1], pair[0]}));
        }
    }
}

static void add_sets(Conditions *self, uint32_t column, const ValuePool *pool) {
    Arena *arena = self->arena;
    for (int i = 0; i < 8; i++) {
        Expr *in[6] = {expr_column(arena, self->table, column)};
        uint32_t count = 2 + (uint32_t)(random_next(&self->random) % 5);
        for (uint32_t k = 1; k < count; k++) in[k] = expr_literal(arena, pick(self, pool));
        Expr *set = expr_call(arena, TRIB_FN_in, TRIB_TYPE_BOOLEAN, count, in);
        Expr *range = CALL(arena, between, BOOLEAN, in[0], expr_literal(arena, pick(self, pool)),
                           expr_literal(arena, pick(self, pool)));
        conditions_add(self, set);
        conditions_add(self, CALL(arena, not, BOOLEAN, set));
        conditions_add(self, range);
        conditions_add(self, CALL(arena, not, BOOLEAN, range));
    }
}

static TribValue text_value(const char *text) {
    TribValue value = {.type = {.id = TRIB_TYPE_VARCHAR}};
    value.as.text.data = text;
    value.as.text.length = strlen(text);
    return value;
}

static void add_likes(Conditions *self, uint32_t column) {
    static const char *const patterns[] = {
        "a%", "%a",     "A%", "_",  "%",   "",    "a_", "%b%", "\xC3\xA4%", "_\xCC\x81",
        "a",  "100\\%", "!%", "'%", "%\t", "z%z", "%%", "__",  "[a]%",      "*"};
    Arena *arena = self->arena;
    TribValue escape = text_value("#"), escaped = text_value("#%%"), under = text_value("%#_%");
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        TribValue pattern = text_value(patterns[i]);
        Expr *expr = CALL(arena, like, BOOLEAN, expr_column(arena, self->table, column),
                          expr_literal(arena, &pattern));
        conditions_add(self, expr);
        conditions_add(self, CALL(arena, not, BOOLEAN, expr));
    }
    conditions_add(self, CALL(arena, like, BOOLEAN, expr_column(arena, self->table, column),
                              expr_literal(arena, &escaped), expr_literal(arena, &escape)));
    conditions_add(self, CALL(arena, like, BOOLEAN, expr_column(arena, self->table, column),
                              expr_literal(arena, &under), expr_literal(arena, &escape)));
}

/* Is every value of the column far from overflow? Then arithmetic with small constants does not raise. */
static bool column_is_small(const Rows *rows, uint32_t column) {
    for (size_t i = 0; i < rows->count; i++) {
        const TribValue *value = &rows_at(rows, i)[column];
        if (!value->is_null && (value->as.integer > 1000000 || value->as.integer < -1000000))
            return false;
    }
    return true;
}

static void add_arithmetic(Conditions *self, uint32_t column, const Rows *rows) {
    static const uint16_t ops[] = {TRIB_FN_add, TRIB_FN_subtract, TRIB_FN_multiply, TRIB_FN_divide,
                                   TRIB_FN_modulus};
    static const int64_t numbers[] = {3, -7};
    Arena *arena = self->arena;
    TribValue number = {.type = {.id = TRIB_TYPE_BIGINT}}, five = number, text = text_value("5");
    five.as.integer = 5;
    Expr *wide = CALL(arena, cast, BIGINT, expr_column(arena, self->table, column));
    if (self->table->columns[column].type.id == TRIB_TYPE_BIGINT)
        wide = expr_column(arena, self->table, column);
    bool small = column_is_small(rows, column);
    for (size_t o = 0; o < COUNT_OF(ops); o++) {
        for (size_t i = 0; i < COUNT_OF(numbers); i++) {
            if (!small && ops[o] < TRIB_FN_divide) continue;
            number.as.integer = numbers[i];
            Expr *sum = expr_call(arena, ops[o], TRIB_TYPE_BIGINT, 2,
                                  (Expr *[]){wide, expr_literal(arena, &number)});
            conditions_add(self, CALL(arena, gt, BOOLEAN, sum, expr_literal(arena, &five)));
            number.as.integer = 0;
            conditions_add(self, CALL(arena, eq, BOOLEAN, sum, expr_literal(arena, &number)));
        }
    }
    Expr *cast = CALL(arena, cast, VARCHAR, wide);
    conditions_add(self, CALL(arena, eq, BOOLEAN, cast, expr_literal(arena, &text)));
    conditions_add(self, CALL(arena, gt, BOOLEAN, cast, expr_literal(arena, &text)));
}

/* Two conditions on one column, from `first` on: an optimiser merges them, and may go wrong in that. */
static void add_pairs(Conditions *self, uint32_t first) {
    uint32_t leaves = self->count - first;
    for (uint32_t i = 0; i < 60; i++) {
        Expr *a = self->list[first + random_next(&self->random) % leaves];
        Expr *b = self->list[first + random_next(&self->random) % leaves];
        conditions_add(self, i % 3 ? CALL(self->arena, and, BOOLEAN, a, b)
                                   : CALL(self->arena, or, BOOLEAN, a, b));
    }
}

static void condition_sink(void *sink, Expr *condition) {
    conditions_add(sink, condition);
}

static void add_column(Conditions *self, const Rows *rows, uint32_t column) {
    Arena *arena = self->arena;
    TribType type = self->table->columns[column].type;
    uint32_t first = self->count;
    ValuePool *pool = must(ARENA_NEW(arena, ValuePool));
    pool_fill(pool, arena, self->table, rows, column);
    Expr *of = expr_column(arena, self->table, column);
    conditions_add(self, CALL(arena, is_null, BOOLEAN, of));
    conditions_add(self, CALL(arena, is_not_null, BOOLEAN, of));
    conditions_add(self, CALL(arena, not, BOOLEAN, CALL(arena, is_null, BOOLEAN, of)));
    if (type.id == TRIB_TYPE_BOOLEAN) {
        conditions_add(self, of);
        conditions_add(self, CALL(arena, not, BOOLEAN, of));
    }
    add_comparisons(self, column, pool);
    add_sets(self, column, pool);
    if (type.id == TRIB_TYPE_VARCHAR) add_likes(self, column);
    if (type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT)
        add_arithmetic(self, column, rows);
    function_conditions(arena, self->table, rows, column, self, condition_sink);
    add_pairs(self, first);
    for (uint32_t other = 0; other < self->table->ncolumns; other++) {
        TribType theirs = self->table->columns[other].type;
        if (other == column || theirs.id != type.id || self->table->columns[other].unreadable)
            continue;
        conditions_add(self, CALL(arena, eq, BOOLEAN, of, expr_column(arena, self->table, other)));
        conditions_add(self, CALL(arena, lt, BOOLEAN, of, expr_column(arena, self->table, other)));
    }
}

/* A random tree over conditions that stand in the list already. */
static Expr *tree(Conditions *self, uint32_t leaves, int depth) {
    static const uint16_t ops[] = {TRIB_FN_and, TRIB_FN_or, TRIB_FN_or, TRIB_FN_not};
    if (depth == 0 || random_next(&self->random) % 4 == 0)
        return self->list[random_next(&self->random) % leaves];
    uint16_t op = ops[random_next(&self->random) % COUNT_OF(ops)];
    uint32_t count = op == TRIB_FN_not ? 1 : 2 + (uint32_t)(random_next(&self->random) % 2);
    Expr *parts[3];
    for (uint32_t i = 0; i < count; i++) parts[i] = tree(self, leaves, depth - 1);
    return expr_call(self->arena, op, TRIB_TYPE_BOOLEAN, count, parts);
}

Expr **expr_conditions(Arena *arena, const TribTable *table, const Rows *rows, uint64_t seed,
                       uint32_t *count) {
    Conditions conditions = {.arena = arena, .table = table, .random = seed};
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (!table->columns[i].unreadable) add_column(&conditions, rows, i);
    }
    uint32_t leaves = conditions.count;
    for (int i = 0; i < 400 && leaves; i++)
        conditions_add(&conditions, tree(&conditions, leaves, 3));
    *count = conditions.count;
    return conditions.list;
}
