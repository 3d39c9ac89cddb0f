/*
 * column_type.c - names of column types, by a table.
 */
#include "connectors/lake/column_type.h"

#include "engine/base/decimal.h"
#include "engine/base/number.h"

typedef enum { ARGS_NONE, ARGS_LENGTH, ARGS_DECIMAL, ARGS_PRECISION } Arguments;

static const struct {
    const char *name; /* the first one of an id is the one that is printed */
    uint8_t id, arguments;
    const char *tail; /* what stands behind the arguments */
} names[] = {
    {"boolean", TRIB_TYPE_BOOLEAN, ARGS_NONE, ""},
    {"tinyint", TRIB_TYPE_TINYINT, ARGS_NONE, ""},
    {"smallint", TRIB_TYPE_SMALLINT, ARGS_NONE, ""},
    {"integer", TRIB_TYPE_INTEGER, ARGS_NONE, ""},
    {"int", TRIB_TYPE_INTEGER, ARGS_NONE, ""},
    {"bigint", TRIB_TYPE_BIGINT, ARGS_NONE, ""},
    {"real", TRIB_TYPE_REAL, ARGS_NONE, ""},
    {"float", TRIB_TYPE_REAL, ARGS_NONE, ""},
    {"double", TRIB_TYPE_DOUBLE, ARGS_NONE, ""},
    {"double precision", TRIB_TYPE_DOUBLE, ARGS_NONE, ""},
    {"decimal", TRIB_TYPE_DECIMAL, ARGS_DECIMAL, ""},
    {"numeric", TRIB_TYPE_DECIMAL, ARGS_DECIMAL, ""},
    {"varchar", TRIB_TYPE_VARCHAR, ARGS_LENGTH, ""},
    {"string", TRIB_TYPE_VARCHAR, ARGS_NONE, ""},
    {"text", TRIB_TYPE_VARCHAR, ARGS_NONE, ""},
    {"char", TRIB_TYPE_CHAR, ARGS_LENGTH, ""},
    {"date", TRIB_TYPE_DATE, ARGS_NONE, ""},
    {"time", TRIB_TYPE_TIME, ARGS_PRECISION, ""},
    {"timestamp", TRIB_TYPE_TIMESTAMP, ARGS_PRECISION, ""},
    {"timestamp", TRIB_TYPE_TIMESTAMP_TZ, ARGS_PRECISION, "with time zone"},
    {"timestamptz", TRIB_TYPE_TIMESTAMP_TZ, ARGS_PRECISION, ""},
    {"uuid", TRIB_TYPE_UUID, ARGS_NONE, ""},
    {"json", TRIB_TYPE_JSON, ARGS_NONE, ""},
};

const char column_type_names[] =
    "boolean, tinyint, smallint, integer, bigint, real, double, decimal(p,s), varchar, varchar(n), "
    "char(n), date, time(p), timestamp(p), timestamp(p) with time zone, uuid, json";

/* Splits "name (1, 2) tail". */
typedef struct Spelling {
    Str name, tail;
    uint32_t count;
    int64_t numbers[2];
} Spelling;

static bool spelling_read(Str text, Spelling *out) {
    *out = (Spelling){0};
    text = str_trim(text);
    const char *open = text.len ? memchr(text.data, '(', text.len) : NULL;
    if (!open) {
        out->name = text;
        return true;
    }
    const char *end = text.data + text.len, *close = memchr(open, ')', (size_t)(end - open));
    if (!close) return false;
    out->name = str_trim((Str){text.data, (size_t)(open - text.data)});
    out->tail = str_trim((Str){close + 1, (size_t)(end - close - 1)});
    for (const char *at = open + 1; at <= close; out->count++) {
        const char *comma = memchr(at, ',', (size_t)(close - at));
        if (!comma) comma = close;
        if (out->count == 2) return false;
        if (int64_parse(str_trim((Str){at, (size_t)(comma - at)}), &out->numbers[out->count]) !=
            NUMBER_OK)
            return false;
        at = comma + 1;
    }
    return true;
}

static bool arguments_apply(const Spelling *s, Arguments arguments, TribType *type) {
    int64_t first = s->count > 0 ? s->numbers[0] : -1, second = s->count > 1 ? s->numbers[1] : 0;
    switch (arguments) {
    case ARGS_NONE: return s->count == 0;
    case ARGS_LENGTH:
        if (s->count > 1) return false;
        if (s->count == 1 && (first < 1 || first > INT32_MAX)) return false;
        type->length = s->count ? (uint32_t)first : type->id == TRIB_TYPE_CHAR ? 1 : 0;
        return true;
    case ARGS_DECIMAL:
        if (s->count == 0) first = DECIMAL_MAX_DIGITS;
        if (first < 1 || first > DECIMAL_MAX_DIGITS || second < 0 || second > first) return false;
        type->precision = (uint8_t)first;
        type->scale = (int8_t)second;
        return true;
    case ARGS_PRECISION:
        if (s->count > 1 || (s->count == 1 && (first < 0 || first > 9))) return false;
        type->precision = (uint8_t)(s->count ? first : type->id == TRIB_TYPE_TIME ? 9 : 6);
        return true;
    }
    return false;
}

bool column_type_parse(Str text, TribType *out) {
    Spelling s;
    static const Str zoned = {"timestamp with time zone", 24};
    if (!spelling_read(text, &s)) return false;
    if (str_equal_fold(s.name, zoned) && s.count == 0) {
        *out = (TribType){.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = 6};
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!str_equal_fold(s.name, str_from(names[i].name)) ||
            !str_equal_fold(s.tail, str_from(names[i].tail)))
            continue;
        *out = (TribType){.id = names[i].id};
        return arguments_apply(&s, (Arguments)names[i].arguments, out);
    }
    return false;
}

size_t column_type_text(TribType type, char *out, size_t size) {
    size_t i = 0;
    while (i + 1 < COUNT_OF(names) && names[i].id != type.id) i++;
    const char *name = names[i].name;
    int n = 0;
    switch ((Arguments)names[i].arguments) {
    case ARGS_NONE: n = text_format(out, size, "%s", name); break;
    case ARGS_LENGTH:
        n = type.length ? text_format(out, size, "%s(%u)", name, type.length)
                        : text_format(out, size, "%s", name);
        break;
    case ARGS_DECIMAL:
        n = text_format(out, size, "%s(%u,%d)", name, type.precision, type.scale);
        break;
    case ARGS_PRECISION:
        n = text_format(out, size, "%s(%u)%s%s", name, type.precision, names[i].tail[0] ? " " : "",
                        names[i].tail);
        break;
    }
    return n < 0 ? 0 : (size_t)n;
}
