/*
 * conform_function.c - functions over one column: what they give here, and conditions that use them.
 *
 * Each function is compared with its own value for some row, so that equality hits and ranges cut, and
 * with a value beside it. Arguments keep away from overflow: an expression that may raise is never
 * offered. One thread; memory on the caller's arena.
 */
#include "tests/connectors/conform.h"

#include <stdlib.h>

#include "engine/base/calendar.h"

/* ---------------------------------------------------------------- evaluation */

static int64_t date_part(uint16_t op, const TribValue *a) {
    int64_t us = a->type.id == TRIB_TYPE_DATE ? a->as.integer * US_PER_DAY : a->as.integer;
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    int64_t seconds = (us - days * US_PER_DAY) / US_PER_SECOND;
    CivilDate date = date_to_civil((int32_t)days);
    switch (op) {
    case TRIB_FN_year: return date.year;
    case TRIB_FN_quarter: return (date.month + 2) / 3;
    case TRIB_FN_month: return date.month;
    case TRIB_FN_day: return date.day;
    case TRIB_FN_day_of_week: return (days % 7 + 7 + 3) % 7 + 1; /* 1970-01-01 was a Thursday */
    case TRIB_FN_day_of_year: return days - date_from_civil(date.year, 1, 1) + 1;
    case TRIB_FN_hour: return seconds / 3600;
    case TRIB_FN_minute: return seconds / 60 % 60;
    default: return seconds % 60;
    }
}

static void set_integer(TribValue *value, __int128 number) {
    if (value->type.id == TRIB_TYPE_DECIMAL && value->type.precision > 18)
        value->as.wide = number;
    else
        value->as.integer = (int64_t)number;
}

static __int128 scaled_to(const TribValue *value, int scale) {
    __int128 number = value_integer(value);
    for (int own = value->type.id == TRIB_TYPE_DECIMAL ? value->type.scale : 0; own < scale; own++)
        number *= 10;
    return number;
}

static TribValue decimal_arithmetic(const Expr *expr, const TribValue *a) {
    TribValue value = {.type = expr->type};
    int scale = expr->type.scale;
    if (expr->op == TRIB_FN_multiply)
        set_integer(&value, value_integer(&a[0]) * value_integer(&a[1]));
    else if (expr->op == TRIB_FN_add)
        set_integer(&value, scaled_to(&a[0], scale) + scaled_to(&a[1], scale));
    else
        set_integer(&value, scaled_to(&a[0], scale) - scaled_to(&a[1], scale));
    return value;
}

static TribValue cast_number(const Expr *expr, const TribValue *a) {
    TribValue value = {.type = expr->type};
    bool real = a->type.id == TRIB_TYPE_REAL || a->type.id == TRIB_TYPE_DOUBLE;
    if (expr->type.id == TRIB_TYPE_DOUBLE)
        value.as.real = real ? a->as.real : (double)a->as.integer;
    else if (expr->type.id == TRIB_TYPE_TIMESTAMP)
        value.as.integer = a->as.integer * US_PER_DAY;
    else
        set_integer(&value, scaled_to(a, expr->type.scale));
    return value;
}

bool function_evaluate(const Expr *expr, const TribValue *a, TribValue *out) {
    TribValue value = {.type = expr->type};
    bool decimal = expr->type.id == TRIB_TYPE_DECIMAL;
    for (uint32_t i = 0; i < expr->count; i++) value.is_null |= a[i].is_null;
    switch (expr->op) {
    case TRIB_FN_year:
    case TRIB_FN_quarter:
    case TRIB_FN_month:
    case TRIB_FN_day:
    case TRIB_FN_day_of_week:
    case TRIB_FN_day_of_year:
    case TRIB_FN_hour:
    case TRIB_FN_minute:
    case TRIB_FN_second:
        if (!value.is_null) value.as.integer = date_part(expr->op, a);
        break;
    case TRIB_FN_length:
        if (!value.is_null)
            value.as.integer = (int64_t)utf8_length(a->as.text.data, a->as.text.length);
        break;
    case TRIB_FN_negate: value.as.integer = -a->as.integer; break;
    case TRIB_FN_abs: value.as.integer = llabs(a->as.integer); break;
    case TRIB_FN_add:
    case TRIB_FN_subtract:
    case TRIB_FN_multiply:
        if (!decimal) return false;
        if (!value.is_null) value = decimal_arithmetic(expr, a);
        break;
    case TRIB_FN_cast:
        if (!decimal && expr->type.id != TRIB_TYPE_DOUBLE && expr->type.id != TRIB_TYPE_TIMESTAMP)
            return false;
        if (!value.is_null) value = cast_number(expr, a);
        break;
    default: return false;
    }
    *out = value;
    return true;
}

/* ---------------------------------------------------------------- conditions */

typedef struct Maker {
    Arena *arena;
    const Rows *rows;
    Expr *column;
    void *sink;
    void (*add)(void *sink, Expr *condition);
} Maker;

/* The expression against its own values of a few rows, and values next to them. */
static void add_own_values(const Maker *self, Expr *expr) {
    static const uint16_t ops[] = {TRIB_FN_eq, TRIB_FN_lt, TRIB_FN_ge, TRIB_FN_ne};
    size_t step = self->rows->count / 6 + 1;
    for (size_t r = 0; r < self->rows->count; r += step) {
        TribValue value = expr_evaluate(expr, rows_at(self->rows, r));
        if (r % 2 && !value.is_null && value.type.id == TRIB_TYPE_BIGINT) value.as.integer++;
        Expr *pair[] = {expr, expr_literal(self->arena, &value)};
        for (size_t o = 0; o < COUNT_OF(ops); o++)
            self->add(self->sink, expr_call(self->arena, ops[o], TRIB_TYPE_BOOLEAN, 2, pair));
    }
    Expr *null_test = expr_call(self->arena, TRIB_FN_is_null, TRIB_TYPE_BOOLEAN, 1, &expr);
    self->add(self->sink, null_test);
}

static void add_calls(const Maker *self, const uint16_t *ops, size_t count, uint8_t type) {
    for (size_t i = 0; i < count; i++) {
        Expr *column = self->column;
        add_own_values(self, expr_call(self->arena, ops[i], type, 1, &column));
    }
}

static Expr *cast_to(const Maker *self, TribType type) {
    Expr *column = self->column;
    Expr *expr = expr_call(self->arena, TRIB_FN_cast, type.id, 1, &column);
    expr->type = type;
    return expr;
}

static void add_decimal_arithmetic(const Maker *self, TribType type) {
    static const uint16_t ops[] = {TRIB_FN_add, TRIB_FN_subtract, TRIB_FN_multiply};
    TribValue number = {.type = {.id = TRIB_TYPE_DECIMAL, .precision = 9, .scale = 3}};
    if (type.precision > 18) return;
    for (size_t o = 0; o < COUNT_OF(ops); o++) {
        number.as.integer = o ? -2500 : 1001;
        Expr *pair[] = {self->column, expr_literal(self->arena, &number)};
        Expr *expr = expr_call(self->arena, ops[o], TRIB_TYPE_DECIMAL, 2, pair);
        int sum_scale = type.scale > 3 ? type.scale : 3;
        expr->type.precision = 38;
        expr->type.scale = (int8_t)(ops[o] == TRIB_FN_multiply ? type.scale + 3 : sum_scale);
        add_own_values(self, expr);
    }
}

static bool is_small(const Maker *self) {
    for (size_t r = 0; r < self->rows->count; r++) {
        TribValue value = expr_evaluate(self->column, rows_at(self->rows, r));
        if (!value.is_null && llabs(value.as.integer) > 1000000) return false;
    }
    return true;
}

void function_conditions(Arena *arena, const TribTable *table, const Rows *rows, uint32_t column,
                         void *sink, void (*add)(void *sink, Expr *condition)) {
    static const uint16_t date_parts[] = {TRIB_FN_year, TRIB_FN_quarter, TRIB_FN_month, TRIB_FN_day,
                                          TRIB_FN_day_of_week, TRIB_FN_day_of_year,
                                          /* of timestamps only: */
                                          TRIB_FN_hour, TRIB_FN_minute, TRIB_FN_second};
    static const uint16_t lengths[] = {TRIB_FN_length}, signs[] = {TRIB_FN_negate, TRIB_FN_abs};
    Maker self = {arena, rows, expr_column(arena, table, column), sink, add};
    TribType type = table->columns[column].type;
    switch (type.id) {
    case TRIB_TYPE_DATE:
        add_calls(&self, date_parts, COUNT_OF(date_parts) - 3, TRIB_TYPE_BIGINT);
        add_own_values(&self,
                       cast_to(&self, (TribType){.id = TRIB_TYPE_TIMESTAMP, .precision = 6}));
        break;
    case TRIB_TYPE_TIMESTAMP:
        if (type.precision <= 6)
            add_calls(&self, date_parts, COUNT_OF(date_parts), TRIB_TYPE_BIGINT);
        break;
    case TRIB_TYPE_VARCHAR: add_calls(&self, lengths, COUNT_OF(lengths), TRIB_TYPE_BIGINT); break;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
        add_own_values(&self, cast_to(&self, (TribType){.id = TRIB_TYPE_DOUBLE}));
        /* fall through */
    case TRIB_TYPE_BIGINT:
        if (is_small(&self)) add_calls(&self, signs, COUNT_OF(signs), type.id);
        add_own_values(&self, cast_to(&self, (TribType){.id = TRIB_TYPE_DECIMAL, .precision = 19}));
        add_own_values(
            &self,
            cast_to(&self, (TribType){.id = TRIB_TYPE_DECIMAL, .precision = 30, .scale = 5}));
        break;
    case TRIB_TYPE_REAL:
        add_own_values(&self, cast_to(&self, (TribType){.id = TRIB_TYPE_DOUBLE}));
        break;
    case TRIB_TYPE_DECIMAL: add_decimal_arithmetic(&self, type); break;
    default: break;
    }
}
