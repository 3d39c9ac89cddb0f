/*
 * hint.c - what to write instead, where the types of two operands do not fit: a literal of the other's type, a
 * cast, an interval.
 */
#include "engine/base/number.h"
#include "engine/bind/scope.h"

static bool is_text_constant(const Expr *e) {
    return e->kind == EXPR_CONSTANT && type_is_text(e->type) && !e->as.value.is_null;
}

static Str constant_text(const Expr *e) {
    return (Str){e->as.value.as.text.data, e->as.value.as.text.length};
}

static const char *literal_word(Type type) {
    switch (type.id) {
    case TRIB_TYPE_DATE: return "DATE";
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ: return "TIME";
    default: return "TIMESTAMP";
    }
}

/* Texts beyond this are not repeated. */
#define SHOWN_TEXT 60

static Status hint_text(Binder *binder, const Expr *text, const Expr *other, Status status) {
    Type type = other->type;
    bool shown = is_text_constant(text) && constant_text(text).len <= SHOWN_TEXT;
    double number;
    if (shown && type_is_datetime(type)) {
        return error_hint(binder->err, "Write %s '" STR_FORMAT "'.", literal_word(type),
                          STR_ARGS(constant_text(text)));
    }
    if (shown && type_is_numeric(type) &&
        double_parse(str_trim(constant_text(text)), &number) == NUMBER_OK) {
        return error_hint(binder->err, "Write " STR_FORMAT " without the quotes.",
                          STR_ARGS(str_trim(constant_text(text))));
    }
    if (!type_castable(text->type, type)) return status;
    return error_hint(binder->err,
                      "Convert one of them with CAST(... AS varchar) or CAST(... AS %s).",
                      type_id_name((TypeId)type.id));
}

/* date + 1 */
static Status hint_days(Binder *binder, const Expr *number, Status status) {
    if (number->kind != EXPR_CONSTANT || number->as.value.is_null)
        return error_hint(binder->err, "Write date_add('day', <number>, <date>).");
    return error_hint(binder->err, "Write INTERVAL '%lld' DAY.",
                      (long long)number->as.value.as.integer);
}

Status bind_hint_types(Binder *binder, uint32_t nargs, Expr *const *args, Status status) {
    for (uint32_t i = 0; i < nargs && nargs == 2 && status == TRIB_INVALID; i++) {
        const Expr *one = args[i], *other = args[1 - i];
        bool datetime = other->type.id == TRIB_TYPE_DATE || other->type.id == TRIB_TYPE_TIMESTAMP ||
                        other->type.id == TRIB_TYPE_TIMESTAMP_TZ;
        if (type_is_text(one->type) &&
            (type_is_datetime(other->type) || type_is_numeric(other->type) ||
             other->type.id == TRIB_TYPE_BOOLEAN || other->type.id == TRIB_TYPE_UUID))
            return hint_text(binder, one, other, status);
        if (type_is_integer(one->type) && datetime) return hint_days(binder, one, status);
    }
    return status;
}

Status bind_hint_list(Binder *binder, uint32_t nargs, Expr *const *args, Status status) {
    for (uint32_t i = 1; i < nargs; i++) {
        Type common;
        if (type_common(binder->arena, args[0]->type, args[i]->type, &common)) continue;
        Expr *pair[2] = {args[0], args[i]};
        return bind_hint_types(binder, 2, pair, status);
    }
    return status;
}
