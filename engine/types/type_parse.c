/*
 * type_parse.c - reads a type's spelling: Trino's names, the usual aliases, Hive's array<int>.
 *
 * A recursive-descent reader over the text; its depth is limited by TYPE_DEPTH_MAX. Names fold ASCII
 * case. Nothing is kept between calls.
 */
#include "engine/types/type.h"

#define TYPE_DEPTH_MAX    64
#define VARCHAR_MAX       TRIB_LENGTH_LONG
#define ROW_FIELDS_MAX    10000u
#define DEFAULT_PRECISION 3 /* of time and timestamp, in digits */

typedef struct TypeReader {
    Arena *arena;
    Str text;
    size_t at;
    uint32_t depth;
    Error *err;
} TypeReader;

typedef struct TypeName {
    const char *name;
    uint8_t id;
} TypeName;

/* Spellings of one word; forms of several words are read below. */
static const TypeName type_names[] = {
    {"boolean", TRIB_TYPE_BOOLEAN},
    {"bool", TRIB_TYPE_BOOLEAN},
    {"tinyint", TRIB_TYPE_TINYINT},
    {"smallint", TRIB_TYPE_SMALLINT},
    {"int2", TRIB_TYPE_SMALLINT},
    {"integer", TRIB_TYPE_INTEGER},
    {"int", TRIB_TYPE_INTEGER},
    {"int4", TRIB_TYPE_INTEGER},
    {"mediumint", TRIB_TYPE_INTEGER},
    {"bigint", TRIB_TYPE_BIGINT},
    {"int8", TRIB_TYPE_BIGINT},
    {"long", TRIB_TYPE_BIGINT},
    {"real", TRIB_TYPE_REAL},
    {"float", TRIB_TYPE_REAL},
    {"float4", TRIB_TYPE_REAL},
    {"double", TRIB_TYPE_DOUBLE},
    {"float8", TRIB_TYPE_DOUBLE},
    {"decimal", TRIB_TYPE_DECIMAL},
    {"numeric", TRIB_TYPE_DECIMAL},
    {"dec", TRIB_TYPE_DECIMAL},
    {"varchar", TRIB_TYPE_VARCHAR},
    {"string", TRIB_TYPE_VARCHAR},
    {"text", TRIB_TYPE_VARCHAR},
    {"nvarchar", TRIB_TYPE_VARCHAR},
    {"longvarchar", TRIB_TYPE_VARCHAR},
    {"tinytext", TRIB_TYPE_VARCHAR},
    {"mediumtext", TRIB_TYPE_VARCHAR},
    {"longtext", TRIB_TYPE_VARCHAR},
    {"ntext", TRIB_TYPE_VARCHAR},
    {"nclob", TRIB_TYPE_VARCHAR},
    {"char", TRIB_TYPE_CHAR},
    {"character", TRIB_TYPE_CHAR},
    {"nchar", TRIB_TYPE_CHAR},
    {"clob", TRIB_TYPE_VARCHAR},
    {"varbinary", TRIB_TYPE_VARBINARY},
    {"longvarbinary", TRIB_TYPE_VARBINARY},
    {"blob", TRIB_TYPE_VARBINARY},
    {"tinyblob", TRIB_TYPE_VARBINARY},
    {"mediumblob", TRIB_TYPE_VARBINARY},
    {"longblob", TRIB_TYPE_VARBINARY},
    {"image", TRIB_TYPE_VARBINARY},
    {"bytea", TRIB_TYPE_VARBINARY},
    {"bit", TRIB_TYPE_BOOLEAN},
    {"smalldatetime", TRIB_TYPE_TIMESTAMP},
    {"binary", TRIB_TYPE_VARBINARY},
    {"date", TRIB_TYPE_DATE},
    {"time", TRIB_TYPE_TIME},
    {"timetz", TRIB_TYPE_TIME_TZ},
    {"timestamp", TRIB_TYPE_TIMESTAMP},
    {"datetime", TRIB_TYPE_TIMESTAMP},
    {"datetime2", TRIB_TYPE_TIMESTAMP},
    {"timestamptz", TRIB_TYPE_TIMESTAMP_TZ},
    {"uuid", TRIB_TYPE_UUID},
    {"guid", TRIB_TYPE_UUID},
    {"uniqueidentifier", TRIB_TYPE_UUID},
    {"json", TRIB_TYPE_JSON},
    {"array", TRIB_TYPE_ARRAY},
    {"map", TRIB_TYPE_MAP},
    {"row", TRIB_TYPE_ROW},
    {"struct", TRIB_TYPE_ROW},
    {"unknown", TRIB_TYPE_UNKNOWN},
};

static Status type_read(TypeReader *r, Type *out);

static void reader_blanks(TypeReader *r) {
    while (r->at < r->text.len && strchr(" \t\r\n", r->text.data[r->at]) != NULL &&
           r->text.data[r->at] != '\0')
        r->at++;
}

static Status reader_fail(TypeReader *r, const char *expected) {
    size_t left = r->text.len - r->at;
    error_set(r->err, ERR_SYNTAX, "'" STR_FORMAT "' is not a type: expected %s%s" STR_FORMAT,
              STR_ARGS(r->text), expected, left ? " at: " : " at its end",
              (int)(left > 40 ? 40 : left), r->text.data + r->at);
    return r->err->status;
}

static bool word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (c & 0x80);
}

static Str reader_word(TypeReader *r) {
    reader_blanks(r);
    size_t start = r->at;
    while (r->at < r->text.len && word_char(r->text.data[r->at])) r->at++;
    return (Str){r->text.data + start, r->at - start};
}

static bool reader_char(TypeReader *r, char c) {
    reader_blanks(r);
    if (r->at >= r->text.len || r->text.data[r->at] != c) return false;
    r->at++;
    return true;
}

/* The given words in a row, or nothing is read. */
static bool reader_words(TypeReader *r, const char *const *words, size_t count) {
    size_t start = r->at;
    for (size_t i = 0; i < count; i++) {
        if (str_equal_fold(reader_word(r), str_from(words[i]))) continue;
        r->at = start;
        return false;
    }
    return true;
}
#define WORDS(r, ...)                                     \
    reader_words((r), (const char *const[]){__VA_ARGS__}, \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static Status reader_number(TypeReader *r, uint32_t low, uint32_t high, uint32_t *out) {
    reader_blanks(r);
    size_t start = r->at;
    uint64_t value = 0;
    while (r->at < r->text.len && r->text.data[r->at] >= '0' && r->text.data[r->at] <= '9') {
        if (value <= UINT32_MAX) value = value * 10 + (uint64_t)(r->text.data[r->at] - '0');
        r->at++;
    }
    if (r->at == start) return reader_fail(r, "a number");
    if (value < low || value > high) {
        return error_set(r->err, ERR_PRECISION, "'" STR_FORMAT "': must lie between %u and %u",
                         STR_ARGS(r->text), low, high);
    }
    *out = (uint32_t)value;
    return TRIB_OK;
}

/* "(n)", optional: *out stays as it is without it. */
static Status reader_argument(TypeReader *r, uint32_t low, uint32_t high, uint32_t *out) {
    if (!reader_char(r, '(')) return TRIB_OK;
    TRY(reader_number(r, low, high, out));
    return reader_char(r, ')') ? TRIB_OK : reader_fail(r, "')'");
}

static Status decimal_read(TypeReader *r, Type *out) {
    uint32_t precision = DECIMAL_MAX_DIGITS, scale = 0;
    if (reader_char(r, '(')) {
        TRY(reader_number(r, 1, DECIMAL_MAX_DIGITS, &precision));
        if (reader_char(r, ',')) TRY(reader_number(r, 0, precision, &scale));
        if (!reader_char(r, ')')) return reader_fail(r, "')'");
    }
    *out = type_decimal((uint8_t)precision, (int8_t)scale);
    return TRIB_OK;
}

static Status datetime_read(TypeReader *r, TypeId id, Type *out) {
    uint32_t precision = DEFAULT_PRECISION;
    TRY(reader_argument(r, 0, 9, &precision));
    if (WORDS(r, "with", "time", "zone")) {
        if (id == TRIB_TYPE_TIMESTAMP) id = TRIB_TYPE_TIMESTAMP_TZ;
        if (id == TRIB_TYPE_TIME) id = TRIB_TYPE_TIME_TZ;
    } else if (!WORDS(r, "without", "time", "zone")) {
        WORDS(r, "with", "local", "time", "zone");
    }
    *out = (Type){.id = (uint8_t)id, .precision = (uint8_t)precision};
    return TRIB_OK;
}

static Status interval_read(TypeReader *r, Type *out) {
    if (WORDS(r, "year", "to", "month")) {
        *out = TYPE(INTERVAL_YM);
    } else if (WORDS(r, "day", "to", "second")) {
        *out = TYPE(INTERVAL_DS);
    } else {
        return reader_fail(r, "'year to month' or 'day to second'");
    }
    return TRIB_OK;
}

/* A field's name: a word or "quoted". Empty when there is none. */
static Status field_name_read(TypeReader *r, Str *name) {
    reader_blanks(r);
    if (r->at >= r->text.len || r->text.data[r->at] != '"') {
        *name = reader_word(r);
        return TRIB_OK;
    }
    Buf text;
    buf_init(&text, r->arena, r->text.len + 1);
    for (r->at++;; r->at++) {
        if (r->at >= r->text.len) return reader_fail(r, "a closing '\"'");
        if (r->text.data[r->at] == '"') {
            if (r->at + 1 >= r->text.len || r->text.data[r->at + 1] != '"') break;
            r->at++;
        }
        buf_char(&text, r->text.data[r->at]);
    }
    r->at++;
    *name = buf_view(&text);
    return buf_status(&text, r->err);
}

/* "name type", "name:type" (Hive), or "type" alone. */
static Status field_read(TypeReader *r, TribTypeField *field) {
    size_t start = r->at;
    Str name;
    TRY(field_name_read(r, &name));
    bool colon = reader_char(r, ':');
    reader_blanks(r);
    bool more = r->at < r->text.len && strchr(",)>(<", r->text.data[r->at]) == NULL;
    bool quoted = name.data != NULL && start < r->text.len &&
                  memchr(r->text.data + start, '"', r->at - start) != NULL;
    if (!colon && !quoted &&
        (!more || str_equal_fold(name, STR("interval")) || str_equal_fold(name, STR("double")))) {
        r->at = start; /* a type without a name */
        return type_read(r, &field->type);
    }
    if (name.len == 0) return reader_fail(r, "a field");
    TRY_ALLOC(field->name, str_dup(r->arena, name), r->err);
    return type_read(r, &field->type);
}

static Status row_read(TypeReader *r, char close, Type *out) {
    uint32_t count = 0, capacity = 0;
    TribTypeField *fields = NULL;
    do {
        if (count == capacity) {
            if (capacity >= ROW_FIELDS_MAX) {
                return error_set(r->err, ERR_LIMIT, "a row type has more than %u fields",
                                 ROW_FIELDS_MAX);
            }
            capacity = capacity ? capacity * 2 : 8;
            TribTypeField *more;
            TRY_ALLOC(more, ARENA_ARRAY(r->arena, TribTypeField, capacity), r->err);
            if (count > 0) memcpy(more, fields, count * sizeof(*fields));
            fields = more;
        }
        TRY(field_read(r, &fields[count]));
        count++;
    } while (reader_char(r, ','));
    if (!reader_char(r, close)) return reader_fail(r, "',' or the end of the row");
    *out = type_row(r->arena, count, fields);
    return out->id == TRIB_TYPE_UNKNOWN ? error_out_of_memory(r->err) : TRIB_OK;
}

static Status nested_read(TypeReader *r, TypeId id, Type *out) {
    char close = ')';
    if (!reader_char(r, '(')) {
        if (!reader_char(r, '<')) return reader_fail(r, "'('");
        close = '>';
    }
    if (id == TRIB_TYPE_ROW) return row_read(r, close, out);
    Type first, second;
    TRY(type_read(r, &first));
    if (id == TRIB_TYPE_MAP) {
        if (!reader_char(r, ',')) return reader_fail(r, "','");
        TRY(type_read(r, &second));
    }
    if (!reader_char(r, close)) return reader_fail(r, close == ')' ? "')'" : "'>'");
    *out = id == TRIB_TYPE_MAP ? type_map(r->arena, first, second) : type_array(r->arena, first);
    return out->id == TRIB_TYPE_UNKNOWN ? error_out_of_memory(r->err) : TRIB_OK;
}

static Status float_read(TypeReader *r, Type *out) {
    uint32_t bits = 24;
    TRY(reader_argument(r, 1, 53, &bits));
    *out = bits <= 24 ? TYPE(REAL) : TYPE(DOUBLE);
    return TRIB_OK;
}

/* BIT is a boolean; there are no strings of bits. */
static Status bit_read(TypeReader *r) {
    uint32_t bits = 1;
    TRY(reader_argument(r, 1, VARCHAR_MAX, &bits));
    if (bits == 1 && !WORDS(r, "varying")) return TRIB_OK;
    return error_set(r->err, ERR_UNSUPPORTED, "'" STR_FORMAT "': strings of bits are not supported",
                     STR_ARGS(r->text));
}

static Status named_read(TypeReader *r, TypeId id, Str word, Type *out) {
    uint32_t length = 0;
    *out = (Type){.id = (uint8_t)id};
    switch (id) {
    case TRIB_TYPE_BOOLEAN: return str_equal_fold(word, STR("bit")) ? bit_read(r) : TRIB_OK;
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT: /* INT(11): how wide MySQL shows it, not what it holds */
        return reader_argument(r, 1, 255, &length);
    case TRIB_TYPE_REAL: return str_equal_fold(word, STR("float")) ? float_read(r, out) : TRIB_OK;
    case TRIB_TYPE_DOUBLE: WORDS(r, "precision"); return TRIB_OK;
    case TRIB_TYPE_DECIMAL: return decimal_read(r, out);
    case TRIB_TYPE_CHAR:
        if (WORDS(r, "varying")) {
            out->id = TRIB_TYPE_VARCHAR;
            return reader_argument(r, 1, VARCHAR_MAX, &out->length);
        }
        out->length = 1;
        return reader_argument(r, 1, CHAR_MAX_LENGTH, &out->length);
    case TRIB_TYPE_VARCHAR: return reader_argument(r, 1, VARCHAR_MAX, &out->length);
    case TRIB_TYPE_VARBINARY: return reader_argument(r, 1, VARCHAR_MAX, &length);
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: return datetime_read(r, id, out);
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return nested_read(r, id, out);
    default: return TRIB_OK;
    }
}

static Status type_read(TypeReader *r, Type *out) {
    if (++r->depth > TYPE_DEPTH_MAX) {
        return error_set(r->err, ERR_LIMIT, "a type is nested deeper than %d", TYPE_DEPTH_MAX);
    }
    size_t start = r->at;
    Str word = reader_word(r);
    Status status = TRIB_OK;
    bool found = false;
    if (str_equal_fold(word, STR("interval"))) {
        found = true;
        status = interval_read(r, out);
    }
    for (size_t i = 0; i < COUNT_OF(type_names) && !found; i++) {
        if (!str_equal_fold(word, str_from(type_names[i].name))) continue;
        found = true;
        status = named_read(r, (TypeId)type_names[i].id, word, out);
    }
    r->depth--;
    if (found) return status;
    r->at = start;
    return reader_fail(r, "a type's name");
}

Status type_parse(Arena *arena, Str text, Type *out, Error *err) {
    TypeReader reader = {.arena = arena, .text = text, .err = err};
    TRY(type_read(&reader, out));
    reader_blanks(&reader);
    return reader.at == text.len ? TRIB_OK : reader_fail(&reader, "nothing more");
}
