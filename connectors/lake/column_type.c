/*
 * column_type.c - names of column types: scalar ones by a table, array, map and row by recursion.
 *
 * The recursion is as deep as the type, at most COLUMN_TYPE_DEPTH. Fields live on the caller's arena.
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
    "char(n), date, time(p), timestamp(p), timestamp(p) with time zone, uuid, json; "
    "in JSON files also array(T), map(varchar, T), row(name T, ...)";

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

static bool scalar_parse(Str text, TribType *out) {
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

/* ---------------------------------------------------------------- nested types */

/* What stands before the next comma outside parentheses and quotes; *text = what is behind
 * it, data == NULL: there was none. */
static bool part_take(Str *text, Str *out) {
    size_t depth = 0, i = 0;
    bool quoted = false;
    for (; i < text->len; i++) {
        char c = text->data[i];
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == ',' && depth == 0) break;
        if (c == '(') depth++;
        if (c == ')' && depth-- == 0) return false;
    }
    if (quoted || depth) return false;
    *out = str_trim((Str){text->data, i});
    bool last = i == text->len;
    *text = last ? (Str){NULL, 0} : (Str){text->data + i + 1, text->len - i - 1};
    return out->len > 0;
}

/* "name T" or "\"a name\" T": the name, unquoted, on the arena; *text = what is behind it. */
static bool field_name(Arena *arena, Str *text, const char **out) {
    char *name = arena_alloc(arena, text->len + 1);
    size_t at = 0, n = 0;
    if (!name) return false;
    if (text->data[0] == '"') {
        for (at = 1; at < text->len; at++) {
            if (text->data[at] == '"' && (at + 1 == text->len || text->data[++at] != '"')) break;
            name[n++] = text->data[at];
        }
    } else {
        for (; at < text->len && text->data[at] != ' ' && text->data[at] != '('; at++)
            name[n++] = text->data[at];
    }
    name[n] = '\0';
    *out = name;
    if (n == 0 || memchr(name, '\0', n) || at >= text->len || text->data[at] != ' ') return false;
    *text = str_trim((Str){text->data + at, text->len - at});
    return text->len > 0;
}

static bool type_parse(Arena *arena, Str text, uint32_t depth, TribType *out);

static bool fields_parse(Arena *arena, Str inner, uint32_t depth, TribType *type) {
    bool row = type->id == TRIB_TYPE_ROW;
    uint32_t count = 1, wanted = type->id == TRIB_TYPE_MAP ? 2 : 1;
    for (size_t i = 0; i < inner.len; i++) count += inner.data[i] == ','; /* or fewer */
    TribTypeFields *fields = arena_alloc(arena, sizeof *fields + count * sizeof(TribTypeField));
    if (!fields) return false;
    fields->count = 0;
    do {
        TribTypeField *field = &fields->field[fields->count];
        Str part;
        if (!part_take(&inner, &part)) return false;
        field->name = NULL;
        if (row && !field_name(arena, &part, &field->name)) return false;
        if (!type_parse(arena, part, depth + 1, &field->type)) return false;
        for (uint32_t i = 0; row && i < fields->count; i++) {
            if (str_equal_fold(str_from(fields->field[i].name), str_from(field->name)))
                return false;
        }
        fields->count++;
    } while (inner.data);
    type->fields = fields;
    if (row) return true;
    return fields->count == wanted &&
           (wanted == 1 || fields->field[0].type.id == TRIB_TYPE_VARCHAR);
}

static bool type_parse(Arena *arena, Str text, uint32_t depth, TribType *out) {
    static const struct {
        Str name;
        uint8_t id;
    } nested[] = {
        {{"array", 5}, TRIB_TYPE_ARRAY}, {{"map", 3}, TRIB_TYPE_MAP}, {{"row", 3}, TRIB_TYPE_ROW}};
    text = str_trim(text);
    const char *open = text.len ? memchr(text.data, '(', text.len) : NULL;
    Str name = {text.data, open ? (size_t)(open - text.data) : 0};
    for (size_t i = 0; open && i < COUNT_OF(nested); i++) {
        if (!str_equal_fold(str_trim(name), nested[i].name)) continue;
        size_t inner = text.len - name.len - 1;
        if (depth == COLUMN_TYPE_DEPTH || inner == 0 || text.data[text.len - 1] != ')')
            return false;
        *out = (TribType){.id = nested[i].id};
        return fields_parse(arena, (Str){open + 1, inner - 1}, depth, out);
    }
    return scalar_parse(text, out);
}

bool column_type_parse(Arena *arena, Str text, TribType *out) {
    return type_parse(arena, text, 0, out);
}

/* ---------------------------------------------------------------- names */

static void scalar_write(Buf *out, TribType type) {
    size_t i = 0;
    while (i + 1 < COUNT_OF(names) && names[i].id != type.id) i++;
    buf_text(out, names[i].name);
    switch ((Arguments)names[i].arguments) {
    case ARGS_NONE: return;
    case ARGS_LENGTH:
        if (type.length) buf_printf(out, "(%u)", type.length);
        return;
    case ARGS_DECIMAL: buf_printf(out, "(%u,%d)", type.precision, type.scale); return;
    case ARGS_PRECISION:
        buf_printf(out, "(%u)%s%s", type.precision, names[i].tail[0] ? " " : "", names[i].tail);
        return;
    }
}

static void name_write(Buf *out, const char *name) {
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    if (name[plain] == '\0') {
        buf_text(out, name);
        return;
    }
    buf_char(out, '"');
    for (; *name; name++) {
        if (*name == '"') buf_char(out, '"');
        buf_char(out, *name);
    }
    buf_char(out, '"');
}

void column_type_write(Buf *out, TribType type) {
    static const char *const words[] = {
        [TRIB_TYPE_ARRAY] = "array(",
        [TRIB_TYPE_MAP] = "map(",
        [TRIB_TYPE_ROW] = "row("
    };
    if (!column_type_nested(type)) {
        scalar_write(out, type);
        return;
    }
    buf_text(out, words[type.id]);
    for (uint32_t i = 0; i < type.fields->count; i++) {
        const TribTypeField *field = &type.fields->field[i];
        if (i) buf_text(out, ", ");
        if (type.id == TRIB_TYPE_ROW) {
            name_write(out, field->name);
            buf_char(out, ' ');
        }
        column_type_write(out, field->type);
    }
    buf_char(out, ')');
}
