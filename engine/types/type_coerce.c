/*
 * type_coerce.c - what converts to what: implicit widening, common types, decimal result types,
 * explicit casts. The rules are Trino's (its type coercion and decimal operator rules).
 *
 * One place is wider than Trino: char(n) may become varchar without being asked, so that functions
 * of varchar take char columns. Where char and varchar meet, the common type is char (padded
 * comparison), as in Trino. All functions are pure.
 */
#include "engine/types/type.h"

Type type_as_decimal(Type t) {
    return t.id == TRIB_TYPE_DECIMAL ? t : type_decimal(type_integer_digits(t), 0);
}

static int max_int(int a, int b) {
    return a > b ? a : b;
}

static int min_int(int a, int b) {
    return a < b ? a : b;
}

static int integral_digits(Type t) {
    return t.precision - t.scale;
}

Type type_decimal_add(Type a, Type b) {
    int scale = max_int(a.scale, b.scale);
    int precision = max_int(integral_digits(a), integral_digits(b)) + scale + 1;
    return type_decimal((uint8_t)min_int(precision, DECIMAL_MAX_DIGITS), (int8_t)scale);
}

Type type_decimal_multiply(Type a, Type b) {
    int scale = a.scale + b.scale;
    if (scale > DECIMAL_MAX_DIGITS) return TYPE(UNKNOWN);
    return type_decimal((uint8_t)min_int(a.precision + b.precision, DECIMAL_MAX_DIGITS),
                        (int8_t)scale);
}

Type type_decimal_divide(Type a, Type b) {
    int precision = a.precision + b.scale + max_int(b.scale - a.scale, 0);
    return type_decimal((uint8_t)min_int(precision, DECIMAL_MAX_DIGITS),
                        (int8_t)max_int(a.scale, b.scale));
}

Type type_decimal_modulus(Type a, Type b) {
    int scale = max_int(a.scale, b.scale);
    int precision = min_int(integral_digits(a), integral_digits(b)) + scale;
    return type_decimal((uint8_t)max_int(min_int(precision, DECIMAL_MAX_DIGITS), 1), (int8_t)scale);
}

/* ---------------------------------------------------------------- widening */

static bool decimal_widens(Type from, Type to) {
    return to.scale >= from.scale && integral_digits(to) >= integral_digits(from);
}

static bool number_widens(Type from, Type to) {
    if (to.id == TRIB_TYPE_DOUBLE || to.id == TRIB_TYPE_REAL) {
        return !(from.id == TRIB_TYPE_DOUBLE && to.id == TRIB_TYPE_REAL);
    }
    if (type_is_integer(from) && type_is_integer(to)) return from.id <= to.id;
    if (to.id != TRIB_TYPE_DECIMAL || from.id == TRIB_TYPE_REAL || from.id == TRIB_TYPE_DOUBLE) {
        return false;
    }
    return decimal_widens(type_as_decimal(from), to);
}

static bool text_widens(Type from, Type to) {
    if (to.id == TRIB_TYPE_VARCHAR) {
        return to.length == 0 || (from.length != 0 && from.length <= to.length);
    }
    if (from.id == TRIB_TYPE_VARCHAR && from.length == 0) return to.length == CHAR_MAX_LENGTH;
    return from.length <= to.length;
}

static bool datetime_widens(Type from, Type to) {
    switch (from.id) {
    case TRIB_TYPE_DATE:
        return to.id == TRIB_TYPE_DATE || to.id == TRIB_TYPE_TIMESTAMP ||
               to.id == TRIB_TYPE_TIMESTAMP_TZ;
    case TRIB_TYPE_TIME:
        return (to.id == TRIB_TYPE_TIME || to.id == TRIB_TYPE_TIME_TZ) &&
               to.precision >= from.precision;
    case TRIB_TYPE_TIMESTAMP:
        return (to.id == TRIB_TYPE_TIMESTAMP || to.id == TRIB_TYPE_TIMESTAMP_TZ) &&
               to.precision >= from.precision;
    default: return to.id == from.id && to.precision >= from.precision;
    }
}

static bool fields_widen(Type from, Type to) {
    if (from.fields == to.fields) return true;
    if (from.fields == NULL || to.fields == NULL || from.fields->count != to.fields->count) {
        return false;
    }
    for (uint32_t i = 0; i < from.fields->count; i++) {
        if (!type_coercible(from.fields->field[i].type, to.fields->field[i].type)) return false;
    }
    return true;
}

bool type_coercible(Type from, Type to) {
    if (from.id == TRIB_TYPE_UNKNOWN) return true;
    if (type_is_numeric(from) && type_is_numeric(to)) return number_widens(from, to);
    if (type_is_text(from) && type_is_text(to)) return text_widens(from, to);
    if (type_is_datetime(from) && type_is_datetime(to)) return datetime_widens(from, to);
    return from.id == to.id && fields_widen(from, to);
}

/* ---------------------------------------------------------------- common types */

static bool common_number(Type a, Type b, Type *out) {
    if (a.id == TRIB_TYPE_DOUBLE || b.id == TRIB_TYPE_DOUBLE) {
        *out = TYPE(DOUBLE);
    } else if (a.id == TRIB_TYPE_REAL || b.id == TRIB_TYPE_REAL) {
        *out = TYPE(REAL);
    } else if (a.id == TRIB_TYPE_DECIMAL || b.id == TRIB_TYPE_DECIMAL) {
        Type x = type_as_decimal(a), y = type_as_decimal(b);
        int scale = max_int(x.scale, y.scale);
        int precision = max_int(integral_digits(x), integral_digits(y)) + scale;
        *out = type_decimal((uint8_t)min_int(precision, DECIMAL_MAX_DIGITS), (int8_t)scale);
    } else {
        *out = a.id > b.id ? a : b;
    }
    return true;
}

static bool common_text(Type a, Type b, Type *out) {
    bool unbounded = (a.id == TRIB_TYPE_VARCHAR && a.length == 0) ||
                     (b.id == TRIB_TYPE_VARCHAR && b.length == 0);
    uint32_t length = a.length > b.length ? a.length : b.length;
    if (a.id == TRIB_TYPE_VARCHAR && b.id == TRIB_TYPE_VARCHAR) {
        *out = type_varchar(unbounded ? 0 : length);
    } else {
        *out = type_char(unbounded || length > CHAR_MAX_LENGTH ? CHAR_MAX_LENGTH : length);
    }
    return true;
}

static bool common_datetime(Type a, Type b, Type *out) {
    uint8_t precision = a.precision > b.precision ? a.precision : b.precision;
    bool a_time = a.id == TRIB_TYPE_TIME || a.id == TRIB_TYPE_TIME_TZ;
    bool b_time = b.id == TRIB_TYPE_TIME || b.id == TRIB_TYPE_TIME_TZ;
    if (a_time != b_time) return false;
    /* date < timestamp < timestamp with time zone, time < time with time zone: ids ascend. */
    *out = (Type){.id = a.id > b.id ? a.id : b.id, .precision = precision};
    return true;
}

static bool common_nested(Arena *arena, Type a, Type b, Type *out) {
    if (a.fields->count != b.fields->count) return false;
    TribTypeFields *fields = arena_alloc(arena, sizeof(TribTypeFields) + (size_t)a.fields->count *
                                                                             sizeof(TribTypeField));
    if (fields == NULL) return false;
    fields->count = a.fields->count;
    for (uint32_t i = 0; i < fields->count; i++) {
        const TribTypeField *x = &a.fields->field[i], *y = &b.fields->field[i];
        bool same_name = x->name != NULL && y->name != NULL &&
                         str_equal_fold(str_from(x->name), str_from(y->name));
        fields->field[i].name = same_name ? x->name : NULL;
        if (!type_common(arena, x->type, y->type, &fields->field[i].type)) return false;
    }
    *out = (Type){.id = a.id, .fields = fields};
    return true;
}

bool type_common(Arena *arena, Type a, Type b, Type *out) {
    if (type_equal(a, b) || b.id == TRIB_TYPE_UNKNOWN) {
        *out = a;
        return true;
    }
    if (a.id == TRIB_TYPE_UNKNOWN) {
        *out = b;
        return true;
    }
    if (type_is_numeric(a) && type_is_numeric(b)) return common_number(a, b, out);
    if (type_is_text(a) && type_is_text(b)) return common_text(a, b, out);
    if (type_is_datetime(a) && type_is_datetime(b)) return common_datetime(a, b, out);
    if (a.id == b.id && type_is_nested(a)) return common_nested(arena, a, b, out);
    return false;
}

/* ---------------------------------------------------------------- casts */

/* Families of types in the table of casts. */
typedef enum CastFamily {
    CAST_BOOLEAN,
    CAST_NUMBER,
    CAST_TEXT,
    CAST_BINARY,
    CAST_DATE,
    CAST_TIME,
    CAST_TIME_TZ,
    CAST_TIMESTAMP,
    CAST_TIMESTAMP_TZ,
    CAST_INTERVAL_YM,
    CAST_INTERVAL_DS,
    CAST_UUID,
    CAST_JSON,
    CAST_NESTED,
    CAST_FAMILIES
} CastFamily;

static CastFamily cast_family(Type t) {
    switch (t.id) {
    case TRIB_TYPE_BOOLEAN: return CAST_BOOLEAN;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR: return CAST_TEXT;
    case TRIB_TYPE_VARBINARY: return CAST_BINARY;
    case TRIB_TYPE_DATE: return CAST_DATE;
    case TRIB_TYPE_TIME: return CAST_TIME;
    case TRIB_TYPE_TIME_TZ: return CAST_TIME_TZ;
    case TRIB_TYPE_TIMESTAMP: return CAST_TIMESTAMP;
    case TRIB_TYPE_TIMESTAMP_TZ: return CAST_TIMESTAMP_TZ;
    case TRIB_TYPE_INTERVAL_YM: return CAST_INTERVAL_YM;
    case TRIB_TYPE_INTERVAL_DS: return CAST_INTERVAL_DS;
    case TRIB_TYPE_UUID: return CAST_UUID;
    case TRIB_TYPE_JSON: return CAST_JSON;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return CAST_NESTED;
    default: return CAST_NUMBER;
    }
}

/* [from][to]: '.' no cast, 'n' never raises, 'r' may raise, '?' depends (see below). */
static const char cast_table[CAST_FAMILIES][CAST_FAMILIES + 1] = {
    /*                      b n t x d t z s Z y i u j * */
    [CAST_BOOLEAN] = "nn?.........n.",      [CAST_NUMBER] = "n??.........n.",
    [CAST_TEXT] = "rr?nrrrrrrrrn.",         [CAST_BINARY] = "...n.......r..",
    [CAST_DATE] = "..?.n..nn...n.",         [CAST_TIME] = "..?..nnnn.....",
    [CAST_TIME_TZ] = "..?..nnnn.....",      [CAST_TIMESTAMP] = "..?.nnnnn...n.",
    [CAST_TIMESTAMP_TZ] = "..?.nnnnn...n.", [CAST_INTERVAL_YM] = "..?......n....",
    [CAST_INTERVAL_DS] = "..?.......n...",  [CAST_UUID] = "..?n.......n..",
    [CAST_JSON] = "rrr.rrrr....nr",         [CAST_NESTED] = "............n?",
};

static char cast_cell(Type from, Type to) {
    return cast_table[cast_family(from)][cast_family(to)];
}

/* Keys of objects are text. */
static bool json_key(Type t) {
    return type_is_text(t) || type_is_numeric(t) || t.id == TRIB_TYPE_BOOLEAN;
}

/* A nested value from or to JSON: each of its parts must be castable. */
static bool json_castable(Type nested, bool to_json) {
    for (uint32_t i = 0; i < nested.fields->count; i++) {
        Type part = nested.fields->field[i].type;
        bool key = nested.id == TRIB_TYPE_MAP && i == 0;
        if (key && !json_key(part)) return false;
        if (!type_castable(to_json ? part : TYPE(JSON), to_json ? TYPE(JSON) : part)) return false;
    }
    return true;
}

bool type_castable(Type from, Type to) {
    if (from.id == TRIB_TYPE_UNKNOWN) return true;
    if (to.id == TRIB_TYPE_UNKNOWN) return false;
    if (from.id == TRIB_TYPE_JSON && type_is_nested(to)) return json_castable(to, false);
    if (to.id == TRIB_TYPE_JSON && type_is_nested(from)) return json_castable(from, true);
    if (!type_is_nested(from) || !type_is_nested(to)) return cast_cell(from, to) != '.';
    if (from.id != to.id || from.fields->count != to.fields->count) return false;
    for (uint32_t i = 0; i < from.fields->count; i++) {
        if (!type_castable(from.fields->field[i].type, to.fields->field[i].type)) return false;
    }
    return true;
}

static bool number_cast_may_raise(Type from, Type to) {
    if (to.id == TRIB_TYPE_DOUBLE || to.id == TRIB_TYPE_REAL) return false;
    if (from.id == TRIB_TYPE_DOUBLE || from.id == TRIB_TYPE_REAL) return true;
    if (type_is_integer(from) && type_is_integer(to)) return from.id > to.id;
    Type source = type_as_decimal(from);
    if (type_is_integer(to)) {
        /* Rounding may carry into one more digit; 10^digits must fit the integer. */
        int digits = integral_digits(source) + (source.scale > 0);
        return digits >= type_integer_digits(to);
    }
    int carry = source.scale > to.scale;
    return integral_digits(source) + carry > integral_digits(to);
}

/* The longest text that a value of a type can give, in characters; 0 = no bound. */
static uint32_t text_length(Type t) {
    switch (t.id) {
    case TRIB_TYPE_BOOLEAN: return 5;
    case TRIB_TYPE_TINYINT: return 4;
    case TRIB_TYPE_SMALLINT: return 6;
    case TRIB_TYPE_INTEGER: return 11;
    case TRIB_TYPE_BIGINT: return 20;
    case TRIB_TYPE_DECIMAL: return (uint32_t)t.precision + (t.scale > 0 ? 3 : 1);
    case TRIB_TYPE_UUID: return 36;
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return 24;
    default: return 0;
    }
}

static bool text_cast_may_raise(Type from, Type to) {
    if (type_is_text(from) || to.length == 0) return false; /* longer text is cut */
    uint32_t needed = text_length(from);
    return needed == 0 || needed > to.length;
}

bool type_cast_may_raise(Type from, Type to) {
    if (from.id == TRIB_TYPE_UNKNOWN) return false;
    char cell = cast_cell(from, to);
    if (cell != '?') return cell != 'n';
    if (type_is_text(to)) return text_cast_may_raise(from, to);
    if (!type_is_nested(from)) return number_cast_may_raise(from, to);
    /* keys that differ may become equal */
    if (from.id == TRIB_TYPE_MAP && from.fields->field[0].type.id != to.fields->field[0].type.id)
        return true;
    for (uint32_t i = 0; i < from.fields->count && i < to.fields->count; i++) {
        if (type_cast_may_raise(from.fields->field[i].type, to.fields->field[i].type)) return true;
    }
    return false;
}
