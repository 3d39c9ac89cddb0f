/*
 * literal.c - literals with Trino's types: 1 integer, 3000000000 bigint, 1.50 decimal(3,2), 1e3 double,
 * 'abc' varchar(3), X'00' varbinary, DATE '...', TIMESTAMP '...' (precision and zone from the text),
 * INTERVAL '...' unit.
 */
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/bind/scope.h"
#include "engine/functions/json_item.h"

static Status literal_error(Binder *binder, const AstExpr *ast, ErrorCode code, const char *what) {
    return error_set_at(binder->err, code, ast->at.line, ast->at.column,
                        "'" STR_FORMAT "' is not a valid %s", STR_ARGS(ast->text), what);
}

static Status constant(Binder *binder, Value value, Expr **out) {
    TRY_ALLOC(*out, expr_constant(binder->arena, value), binder->err);
    return TRIB_OK;
}

static Value text_value(Type type, Str text) {
    Value value = {.type = type};
    value.as.text.data = text.data;
    value.as.text.length = text.len;
    return value;
}

static Status bind_integer(Binder *binder, const AstExpr *ast, bool negative, Expr **out) {
    char *text;
    TRY_ALLOC(
        text,
        arena_printf(binder->arena, "%s" STR_FORMAT, negative ? "-" : "", STR_ARGS(ast->text)),
        binder->err);
    Value value = {.type = TYPE(BIGINT)};
    if (int64_parse(str_from(text), &value.as.integer) != NUMBER_OK) {
        error_set_at(binder->err, ERR_OUT_OF_RANGE, ast->at.line, ast->at.column,
                     "the number %s is outside the range of bigint", text);
        return error_hint(binder->err, "Write it as DECIMAL '%s'.", text);
    }
    if (value.as.integer >= INT32_MIN && value.as.integer <= INT32_MAX) value.type = TYPE(INTEGER);
    return constant(binder, value, out);
}

static Status bind_decimal(Binder *binder, const AstExpr *ast, Str text, bool negative,
                           Expr **out) {
    Str digits = str_trim(text);
    if (digits.len && (digits.data[0] == '-' || digits.data[0] == '+')) {
        negative ^= digits.data[0] == '-';
        digits = (Str){digits.data + 1, digits.len - 1};
    }
    const char *point = digits.len ? memchr(digits.data, '.', digits.len) : NULL;
    size_t whole = point ? (size_t)(point - digits.data) : digits.len;
    size_t fraction = point ? digits.len - whole - 1 : 0;
    size_t zeros = 0;
    while (zeros < whole && digits.data[zeros] == '0') zeros++;
    size_t precision = whole - zeros + fraction;
    if (precision == 0) precision = 1;
    if (precision > DECIMAL_MAX_DIGITS) {
        return error_set_at(binder->err, ERR_OUT_OF_RANGE, ast->at.line, ast->at.column,
                            "the number has %zu digits; a decimal has at most %d", precision,
                            DECIMAL_MAX_DIGITS);
    }
    Value value = {.type = type_decimal((uint8_t)precision, (int8_t)fraction)};
    Int128 unscaled;
    if (decimal_parse(digits, value.type.precision, value.type.scale, &unscaled) != DECIMAL_OK) {
        return literal_error(binder, ast, ERR_SYNTAX, "decimal");
    }
    if (negative) unscaled = -unscaled;
    if (precision <= 18) {
        value.as.integer = (int64_t)unscaled;
    } else {
        value.as.wide = unscaled;
    }
    return constant(binder, value, out);
}

static Status bind_double(Binder *binder, const AstExpr *ast, bool negative, Expr **out) {
    Value value = {.type = TYPE(DOUBLE)};
    if (double_parse(ast->text, &value.as.real) != NUMBER_OK) {
        return error_set_at(binder->err, ERR_OUT_OF_RANGE, ast->at.line, ast->at.column,
                            "the number " STR_FORMAT " is outside the range of double",
                            STR_ARGS(ast->text));
    }
    if (negative) value.as.real = -value.as.real;
    return constant(binder, value, out);
}

/* JSON '...' is parsed: its value is the canonical text. */
static Status bind_json_literal(Binder *binder, const AstExpr *ast, Expr **out) {
    Buf text;
    buf_init(&text, binder->arena, SQL_MAX_TEXT * (size_t)2);
    Status status = json_canonical(binder->arena, ast->text, &text, binder->err);
    if (status == TRIB_OK) return constant(binder, text_value(TYPE(JSON), buf_view(&text)), out);
    binder->err->line = ast->at.line;
    binder->err->column = ast->at.column;
    return status;
}

/* ---------------------------------------------------------------- dates, times */

#define MOST_FRACTION_DIGITS 9

/* The literal's precision: digits behind the point of the seconds. */
static Status fraction_digits(Binder *binder, const AstExpr *ast, uint8_t *out) {
    Str text = ast->text;
    const char *point = text.len ? memchr(text.data, '.', text.len) : NULL;
    *out = 0;
    if (!point) return TRIB_OK;
    size_t at = (size_t)(point - text.data) + 1, n = 0;
    while (at + n < text.len && text.data[at + n] >= '0' && text.data[at + n] <= '9') n++;
    *out = (uint8_t)n;
    if (n <= MOST_FRACTION_DIGITS) return TRIB_OK;
    return error_set_at(binder->err, ERR_UNSUPPORTED, ast->at.line, ast->at.column,
                        "'" STR_FORMAT "' has %zu digits of a second; %d are supported",
                        STR_ARGS(text), n, MOST_FRACTION_DIGITS);
}

static Status bind_date(Binder *binder, const AstExpr *ast, Expr **out) {
    Value value = {.type = TYPE(DATE)};
    int32_t days;
    if (!date_parse(ast->text, &days))
        return literal_error(binder, ast, ERR_DATETIME_FORMAT, "date (YYYY-MM-DD)");
    value.as.integer = days;
    return constant(binder, value, out);
}

/* With an offset behind it the literal is a time with time zone. */
static Status bind_time(Binder *binder, const AstExpr *ast, Expr **out) {
    uint8_t precision;
    TRY(fraction_digits(binder, ast, &precision));
    Value value = {.type = type_time(precision)};
    if (time_parse(ast->text, &value.as.integer)) return constant(binder, value, out);
    Value text = text_value(type_varchar(0), ast->text);
    Type zoned = {.id = TRIB_TYPE_TIME_TZ, .precision = precision};
    Error why;
    Status status = TRIB_DATA;
    if (memchr(ast->text.data, ':', ast->text.len))
        status = value_cast(binder->arena, binder->context->session, &text, zoned, &value, &why);
    if (status == TRIB_OK) return constant(binder, value, out);
    if (status == TRIB_MEMORY) return error_out_of_memory(binder->err);
    return literal_error(binder, ast, ERR_DATETIME_FORMAT, "time (HH:MM:SS, perhaps +HH:MM)");
}

static Status bind_timestamp(Binder *binder, const AstExpr *ast, Expr **out) {
    uint8_t precision;
    TRY(fraction_digits(binder, ast, &precision));
    int64_t us;
    int32_t ns;
    int16_t zone;
    if (!timestamp_parse(ast->text, precision, &us, &ns, &zone)) {
        return literal_error(binder, ast, ERR_DATETIME_FORMAT, "timestamp (YYYY-MM-DD HH:MM:SS)");
    }
    Value value = {.type = zone >= 0 ? type_timestamp_tz(precision) : type_timestamp(precision)};
    if (zone < 0 && precision <= 6) {
        value.as.integer = us;
    } else {
        value.as.instant.us = zone >= 0 ? zone_local_to_utc(zone, us) : us;
        value.as.instant.ns = ns;
        value.as.instant.zone = zone >= 0 ? zone : 0;
    }
    return constant(binder, value, out);
}

static Status bind_typed(Binder *binder, const AstExpr *ast, Expr **out) {
    if (str_equal_fold(ast->type_text, STR("date"))) return bind_date(binder, ast, out);
    if (str_equal_fold(ast->type_text, STR("time"))) return bind_time(binder, ast, out);
    if (str_equal_fold(ast->type_text, STR("timestamp"))) return bind_timestamp(binder, ast, out);
    if (str_equal_fold(ast->type_text, STR("decimal")))
        return bind_decimal(binder, ast, ast->text, false, out);
    if (str_equal_fold(ast->type_text, STR("json"))) return bind_json_literal(binder, ast, out);
    Type type;
    Status status = type_parse(binder->arena, ast->type_text, &type, binder->err);
    if (status == TRIB_OK && str_equal_fold(ast->type_text, STR("char"))) {
        uint32_t n = (uint32_t)utf8_length(ast->text.data, ast->text.len);
        type = type_char(n ? n : 1);
    }
    if (status == TRIB_OK) {
        Value text = text_value(type_varchar(0), ast->text), value;
        status =
            value_cast(binder->arena, binder->context->session, &text, type, &value, binder->err);
        if (status == TRIB_OK) return constant(binder, value, out);
    }
    binder->err->line = ast->at.line;
    binder->err->column = ast->at.column;
    return status;
}

/* ---------------------------------------------------------------- intervals */

/* Reads a whole number up to a separator; false if there is none. */
static bool interval_part(Str text, size_t *at, int64_t *out) {
    size_t start = *at;
    while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') (*at)++;
    return *at > start && int64_parse((Str){text.data + start, *at - start}, out) == NUMBER_OK;
}

static bool interval_months(Str text, AstUnit from, AstUnit to, int64_t *months) {
    size_t at = 0;
    int64_t first, second = 0;
    if (!interval_part(text, &at, &first)) return false;
    if (from == AST_UNIT_YEAR && to == AST_UNIT_MONTH) {
        if (at < text.len && (text.data[at++] != '-' || !interval_part(text, &at, &second)))
            return false;
    }
    int64_t unit = from == AST_UNIT_YEAR ? 12 : from == AST_UNIT_QUARTER ? 3 : 1;
    if (at != text.len || __builtin_mul_overflow(first, unit, months)) return false;
    return !__builtin_add_overflow(*months, second, months) && *months <= INT32_MAX;
}

static int64_t unit_us(AstUnit unit) {
    switch (unit) {
    case AST_UNIT_WEEK: return 7 * US_PER_DAY;
    case AST_UNIT_DAY: return US_PER_DAY;
    case AST_UNIT_HOUR: return 3600 * US_PER_SECOND;
    case AST_UNIT_MINUTE: return 60 * US_PER_SECOND;
    case AST_UNIT_SECOND: return US_PER_SECOND;
    default: return 1000;
    }
}

/* ".678" behind the seconds, in microseconds. */
static bool interval_fraction(Str text, size_t *at, int64_t *us) {
    *us = 0;
    if (*at >= text.len || text.data[*at] != '.') return true;
    (*at)++;
    int64_t scale = 100000;
    for (; *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        *us += (text.data[*at] - '0') * scale;
        scale /= 10;
    }
    return true;
}

/* "2 03:04:05.678" from its first unit on, each further part a unit smaller. */
static bool interval_us(Str text, AstUnit from, AstUnit to, int64_t *us) {
    size_t at = 0;
    int64_t total = 0;
    if (to == AST_UNIT_NONE) to = from;
    for (AstUnit unit = from;; unit++) {
        int64_t part, scaled, fraction = 0;
        if (!interval_part(text, &at, &part) ||
            __builtin_mul_overflow(part, unit_us(unit), &scaled))
            return false;
        if (unit == AST_UNIT_SECOND && !interval_fraction(text, &at, &fraction)) return false;
        if (__builtin_add_overflow(total, scaled, &total) ||
            __builtin_add_overflow(total, fraction, &total))
            return false;
        if (unit == to) break;
        if (at >= text.len || (text.data[at] != ' ' && text.data[at] != ':')) return false;
        at++;
    }
    *us = total;
    return at == text.len;
}

static Status bind_interval(Binder *binder, const AstExpr *ast, Expr **out) {
    Str text = str_trim(ast->text);
    bool negative = text.len && text.data[0] == '-';
    if (text.len && (text.data[0] == '-' || text.data[0] == '+'))
        text = (Str){text.data + 1, text.len - 1};
    AstUnit from = (AstUnit)ast->from_unit, to = (AstUnit)ast->to_unit;
    bool months = from == AST_UNIT_YEAR || from == AST_UNIT_MONTH || from == AST_UNIT_QUARTER;
    Value value = {.type = months ? TYPE(INTERVAL_YM) : TYPE(INTERVAL_DS)};
    bool ok = months ? interval_months(text, from, to, &value.as.integer)
                     : interval_us(text, from, to, &value.as.integer);
    if (!ok) return literal_error(binder, ast, ERR_SYNTAX, "interval");
    if (negative) value.as.integer = -value.as.integer;
    return constant(binder, value, out);
}

Status bind_literal(Binder *binder, const AstExpr *ast, bool negative, Expr **out) {
    switch ((AstExprKind)ast->kind) {
    case AST_NULL: return constant(binder, (Value){.type = TYPE(UNKNOWN), .is_null = true}, out);
    case AST_BOOLEAN: {
        Value value = {.type = TYPE(BOOLEAN)};
        value.as.integer = ast->boolean;
        return constant(binder, value, out);
    }
    case AST_INTEGER: return bind_integer(binder, ast, negative, out);
    case AST_DECIMAL: return bind_decimal(binder, ast, ast->text, negative, out);
    case AST_DOUBLE: return bind_double(binder, ast, negative, out);
    case AST_STRING: {
        size_t n = utf8_length(ast->text.data, ast->text.len);
        Type type = type_varchar((uint32_t)n);
        if (n == 0) type.length = 1; /* varchar(0) would read as unbounded */
        return constant(binder, text_value(type, ast->text), out);
    }
    case AST_BINARY: return constant(binder, text_value(TYPE(VARBINARY), ast->text), out);
    case AST_TYPED_LITERAL: return bind_typed(binder, ast, out);
    case AST_INTERVAL: return bind_interval(binder, ast, out);
    default: return error_set(binder->err, ERR_GENERAL, "internal error: not a literal");
    }
}
