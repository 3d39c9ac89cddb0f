/*
 * types.c - declared types of SQLite columns, and the parsing of what is stored under them.
 *
 * SQLite enforces declared types only in STRICT tables. A declared type is understood by its name where
 * the name is a usual one, else by SQLite's own affinity rules ("Datatypes In SQLite", section 3.1).
 * Integers are all bigint, because that is what any of them may hold; bounds.c finds what proves less.
 */
#include "connectors/sqlite/sqlite_internal.h"

#include <math.h>

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

/* ---------------------------------------------------------------- declared types */

typedef enum { ARGS_NONE, ARGS_LENGTH, ARGS_DECIMAL, ARGS_PRECISION } TypeArguments;

/* Names as declared, without arguments, folded to upper case with single blanks. */
static const struct {
    const char *name;
    char kind;
    uint8_t id;
    uint8_t arguments;
    bool text_affinity; /* the column's affinity is TEXT: numbers become text when stored */
} type_names[] = {
    {"INTEGER", KIND_INTEGER, TRIB_TYPE_BIGINT, ARGS_NONE, false},
    {"INT", KIND_INTEGER, TRIB_TYPE_BIGINT, ARGS_NONE, false},
    {"BIGINT", KIND_INTEGER, TRIB_TYPE_BIGINT, ARGS_NONE, false},
    {"BOOLEAN", KIND_BOOLEAN, TRIB_TYPE_BOOLEAN, ARGS_NONE, false},
    {"BOOL", KIND_BOOLEAN, TRIB_TYPE_BOOLEAN, ARGS_NONE, false},
    {"REAL", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"DOUBLE", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"DOUBLE PRECISION", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"FLOAT", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"FLOATING POINT", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"DECIMAL", KIND_DECIMAL, TRIB_TYPE_DECIMAL, ARGS_DECIMAL, false},
    {"DECIMAL_TEXT", KIND_DECIMAL, TRIB_TYPE_DECIMAL, ARGS_DECIMAL, true},
    {"NUMERIC", KIND_DECIMAL, TRIB_TYPE_DECIMAL, ARGS_DECIMAL, false},
    {"DEC", KIND_DECIMAL, TRIB_TYPE_DECIMAL, ARGS_DECIMAL, false},
    {"NUMBER", KIND_DECIMAL, TRIB_TYPE_DECIMAL, ARGS_DECIMAL, false},
    {"MONEY", KIND_REAL, TRIB_TYPE_DOUBLE, ARGS_NONE, false},
    {"TEXT", KIND_TEXT, TRIB_TYPE_VARCHAR, ARGS_LENGTH, true},
    {"CLOB", KIND_TEXT, TRIB_TYPE_VARCHAR, ARGS_LENGTH, true},
    {"LONGVARCHAR", KIND_TEXT, TRIB_TYPE_VARCHAR, ARGS_LENGTH, true},
    {"VARCHAR", KIND_TEXT, TRIB_TYPE_VARCHAR, ARGS_LENGTH, true},
    {"DATE", KIND_DATE, TRIB_TYPE_DATE, ARGS_NONE, false},
    {"TIME", KIND_TIME, TRIB_TYPE_TIME, ARGS_PRECISION, false},
    {"DATETIME", KIND_TIMESTAMP, TRIB_TYPE_TIMESTAMP, ARGS_PRECISION, false},
    {"TIMESTAMP", KIND_TIMESTAMP, TRIB_TYPE_TIMESTAMP, ARGS_PRECISION, false},
    {"TIMESTAMP WITHOUT TIME ZONE", KIND_TIMESTAMP, TRIB_TYPE_TIMESTAMP, ARGS_PRECISION, false},
    {"TIMESTAMPTZ", KIND_ZONED, TRIB_TYPE_TIMESTAMP_TZ, ARGS_PRECISION, false},
    {"TIMESTAMP WITH TIME ZONE", KIND_ZONED, TRIB_TYPE_TIMESTAMP_TZ, ARGS_PRECISION, false},
    {"BLOB", KIND_BLOB, TRIB_TYPE_VARBINARY, ARGS_NONE, false},
    {"BINARY", KIND_BLOB, TRIB_TYPE_VARBINARY, ARGS_NONE, false},
    {"VARBINARY", KIND_BLOB, TRIB_TYPE_VARBINARY, ARGS_NONE, false},
    {"BYTEA", KIND_BLOB, TRIB_TYPE_VARBINARY, ARGS_NONE, false},
    {"UUID", KIND_UUID, TRIB_TYPE_UUID, ARGS_NONE, false},
    {"GUID", KIND_UUID, TRIB_TYPE_UUID, ARGS_NONE, false},
};

enum { DECLARED_MAX = 63 }; /* longer names are none of the usual ones */

typedef struct Declared {
    char name[DECLARED_MAX + 1]; /* folded; "" if too long */
    uint32_t nargs;
    int64_t args[2];
} Declared;

/* Splits "varchar (20)" and "timestamp(3) with time zone" into the name and the numbers. */
static void declared_parse(Str text, Declared *out) {
    size_t length = 0;
    bool blank = false, inside = false;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '(')
            inside = true, blank = true;
        else if (c == ')')
            inside = false;
        else if (inside) {
            size_t start = i;
            while (i < text.len && text.data[i] != ',' && text.data[i] != ')') i++;
            int64_t number;
            Str argument = str_trim((Str){text.data + start, i - start});
            if (out->nargs < 2 && int64_parse(argument, &number) == NUMBER_OK)
                out->args[out->nargs++] = number;
            if (i < text.len && text.data[i] == ')') inside = false;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = true;
        } else {
            if (length + 2 > DECLARED_MAX) {
                out->name[0] = '\0';
                return;
            }
            if (blank && length) out->name[length++] = ' ';
            blank = false;
            out->name[length++] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
        }
    }
    out->name[length] = '\0';
}

static bool contains_fold(Str text, const char *part) {
    size_t length = strlen(part);
    for (size_t i = 0; i + length <= text.len; i++) {
        if (str_equal_fold((Str){text.data + i, length}, (Str){part, length})) return true;
    }
    return false;
}

static void type_plain(uint8_t id, LiteKind of, TribType *type, LiteKind *kind) {
    *type = (TribType){.id = id};
    *kind = of;
}

static void type_arguments(const Declared *declared, TypeArguments arguments, TribType *type,
                           LiteKind *kind) {
    int64_t first = declared->nargs > 0 ? declared->args[0] : -1;
    int64_t second = declared->nargs > 1 ? declared->args[1] : 0;
    switch (arguments) {
    case ARGS_LENGTH:
        if (first > 0 && first <= INT32_MAX) type->length = (uint32_t)first;
        if (first < 0 && strcmp(declared->name, "LONGVARCHAR") == 0)
            type->length = TRIB_LENGTH_LONG;
        break;
    case ARGS_DECIMAL:
        /* Without digits it says nothing about the scale; SQLite holds such numbers as INTEGER or REAL. */
        if (first >= 1 && first <= DECIMAL_MAX_DIGITS && second >= 0 && second <= first) {
            type->precision = (uint8_t)first;
            type->scale = (int8_t)second;
        } else {
            type_plain(TRIB_TYPE_DOUBLE, KIND_REAL, type, kind);
        }
        break;
    case ARGS_PRECISION: type->precision = (uint8_t)(first >= 0 && first <= 9 ? first : 6); break;
    case ARGS_NONE: break;
    }
}

/* SQLite's rules for names that are not in the table, in their order. */
static void type_by_affinity(Str text, const Declared *declared, TribType *type, LiteKind *kind) {
    if (contains_fold(text, "INT")) {
        type_plain(TRIB_TYPE_BIGINT, KIND_INTEGER, type, kind);
    } else if (contains_fold(text, "CHAR") || contains_fold(text, "CLOB") ||
               contains_fold(text, "TEXT")) {
        type_plain(TRIB_TYPE_VARCHAR, KIND_TEXT, type, kind);
        type_arguments(declared, ARGS_LENGTH, type, kind);
    } else if (contains_fold(text, "BLOB")) {
        type_plain(TRIB_TYPE_VARBINARY, KIND_BLOB, type, kind);
        if (strcmp(declared->name, "LONGBLOB") == 0) type->length = TRIB_LENGTH_LONG;
    } else if (contains_fold(text, "REAL") || contains_fold(text, "FLOA") ||
               contains_fold(text, "DOUB")) {
        type_plain(TRIB_TYPE_DOUBLE, KIND_REAL, type, kind);
    } else {
        type_plain(TRIB_TYPE_VARCHAR, KIND_ANY, type, kind);
    }
}

void lite_type(const char *declared, OnMismatch on_mismatch, bool strict, TribType *type,
               LiteKind *kind) {
    Declared parsed;
    Str text = str_trim(str_from(declared ? declared : ""));
    declared_parse(text, &parsed);
    if (on_mismatch == MISMATCH_VARCHAR && !strict) {
        type_plain(TRIB_TYPE_VARCHAR, KIND_ANY, type, kind);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(type_names); i++) {
        if (strcmp(parsed.name, type_names[i].name) != 0) continue;
        type_plain(type_names[i].id, (LiteKind)type_names[i].kind, type, kind);
        type_arguments(&parsed, (TypeArguments)type_names[i].arguments, type, kind);
        return;
    }
    type_by_affinity(text, &parsed, type, kind);
}

LiteKind lite_kind_of(TribType type) {
    for (size_t i = 0; i < COUNT_OF(type_names); i++) {
        if (type_names[i].id == type.id) return (LiteKind)type_names[i].kind;
    }
    if (type.id == TRIB_TYPE_CHAR) return KIND_TEXT;
    return type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT ? KIND_INTEGER : KIND_ANY;
}

const char *lite_classes(LiteKind kind) {
    switch (kind) {
    case KIND_INTEGER:
    case KIND_BOOLEAN: return "'integer'";
    case KIND_REAL: return "'real', 'integer'";
    case KIND_DECIMAL: return "'real', 'integer', 'text'";
    case KIND_BLOB: return "'blob'";
    case KIND_UUID: return "'text', 'blob'";
    case KIND_ANY: return "'text', 'integer', 'real'";
    default: return "'text'";
    }
}

/* ---------------------------------------------------------------- facts */

char *lite_facts_text(Arena *arena, LiteFacts facts) {
    return arena_printf(arena, "%c%s%s%s%s", (char)facts.kind, facts.strict ? "s" : "",
                        facts.binary ? "b" : "", facts.indexable ? "n" : "",
                        facts.utf16 ? "w" : "");
}

LiteFacts lite_facts(const char *text) {
    LiteFacts facts = {.kind = KIND_ANY};
    if (!text || !*text) return facts;
    facts.kind = (LiteKind)*text;
    for (const char *c = text + 1; *c; c++) {
        facts.strict |= *c == 's';
        facts.binary |= *c == 'b';
        facts.indexable |= *c == 'n';
        facts.utf16 |= *c == 'w';
    }
    return facts;
}

/* ---------------------------------------------------------------- stored text */

/* `count` digits at text[at]; -1 if they are no digits. */
static int digits(Str text, size_t at, size_t count) {
    int value = 0;
    if (at + count > text.len) return -1;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return -1;
        value = value * 10 + (text.data[i] - '0');
    }
    return value;
}

bool lite_parse_date(Str text, int32_t *days) {
    if (text.len != 10 || text.data[4] != '-' || text.data[7] != '-') return false;
    int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (year < 0 || month < 0 || day < 0 || !date_valid(year, (uint32_t)month, (uint32_t)day))
        return false;
    *days = date_from_civil(year, (uint32_t)month, (uint32_t)day);
    return true;
}

bool lite_parse_time(Str text, int precision, int64_t *ns) {
    if (text.len < 5 || text.data[2] != ':') return false;
    int hour = digits(text, 0, 2), minute = digits(text, 3, 2), second = 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
    int64_t fraction = 0;
    if (text.len > 5) {
        second = digits(text, 6, 2);
        if (text.data[5] != ':' || second < 0 || second > 59) return false;
    }
    if (text.len > 8) {
        int64_t unit = 100000000;
        if (text.data[8] != '.' || text.len == 9) return false;
        for (size_t i = 9; i < text.len; i++, unit /= 10) {
            int digit = digits(text, i, 1);
            /* Digits beyond the column's precision would be lost: only zeros may stand there. */
            if (digit < 0 || (digit > 0 && (int)(i - 9) >= precision)) return false;
            fraction += digit * unit;
        }
    }
    *ns = ((int64_t)hour * 3600 + minute * 60 + second) * INT64_C(1000000000) + fraction;
    return true;
}

bool lite_parse_timestamp(Str text, int precision, int64_t *us, int32_t *ns) {
    int32_t days;
    int64_t time = 0;
    if (text.len < 10 || !lite_parse_date((Str){text.data, 10}, &days)) return false;
    if (text.len > 10) {
        if (text.data[10] != ' ' && text.data[10] != 'T') return false;
        if (!lite_parse_time((Str){text.data + 11, text.len - 11}, precision, &time)) return false;
    }
    *us = (int64_t)days * US_PER_DAY + time / 1000;
    *ns = (int32_t)(time % 1000);
    return true;
}

bool lite_parse_uuid(Str text, uint8_t out[16]) {
    if (text.len != 36) return false;
    size_t written = 0;
    int high = -1;
    for (size_t i = 0; i < 36; i++) {
        char c = text.data[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') return false;
            continue;
        }
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return false;
        if (high < 0)
            high = digit;
        else
            out[written++] = (uint8_t)(high << 4 | digit), high = -1;
    }
    return true;
}

bool lite_real_to_decimal(double value, TribType type, __int128 *out) {
    static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    if (!isfinite(value)) return false;
    if (type.scale < (int)COUNT_OF(powers)) {
        /* Below 2^53 the quotient of two exact doubles is the double nearest to that decimal. */
        double scaled = nearbyint(value * powers[type.scale]);
        if (fabs(scaled) < 9007199254740992.0 && scaled / powers[type.scale] == value) {
            *out = (__int128)(int64_t)scaled;
            return decimal_fits(*out, type.precision);
        }
    }
    char text[64], back[64];
    sqlite3_snprintf(sizeof text, text, "%!.15g", value);
    Int128 rounded;
    if (decimal_parse(str_from(text), type.precision, type.scale, &rounded) != DECIMAL_OK)
        return false;
    sqlite3_snprintf(sizeof back, back, "%!.15g", decimal_to_double(rounded, type.scale));
    *out = rounded;
    return strcmp(text, back) == 0;
}
