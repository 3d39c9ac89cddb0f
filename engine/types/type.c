/*
 * type.c - logical types: construction, comparison, spelling in SQL.
 *
 * A type is a value; only nested types point to memory (their fields), which lives in the arena of
 * whoever made the type. Every function is pure and safe from any thread. Recursion follows the
 * nesting of the type, which type_parse limits.
 */
#include "engine/types/type.h"

static TribTypeFields *fields_new(Arena *arena, uint32_t count) {
    TribTypeFields *fields =
        arena_alloc(arena, sizeof(TribTypeFields) + (size_t)count * sizeof(TribTypeField));
    if (fields != NULL) fields->count = count;
    return fields;
}

Type type_array(Arena *arena, Type element) {
    TribTypeFields *fields = fields_new(arena, 1);
    if (fields == NULL) return TYPE(UNKNOWN);
    fields->field[0].type = element;
    return (Type){.id = TRIB_TYPE_ARRAY, .fields = fields};
}

Type type_map(Arena *arena, Type key, Type value) {
    TribTypeFields *fields = fields_new(arena, 2);
    if (fields == NULL) return TYPE(UNKNOWN);
    fields->field[0].type = key;
    fields->field[1].type = value;
    return (Type){.id = TRIB_TYPE_MAP, .fields = fields};
}

Type type_row(Arena *arena, uint32_t count, const TribTypeField *fields) {
    TribTypeFields *copy = fields_new(arena, count);
    if (copy == NULL) return TYPE(UNKNOWN);
    for (uint32_t i = 0; i < count; i++) {
        copy->field[i].type = fields[i].type;
        if (fields[i].name == NULL) continue;
        copy->field[i].name = arena_strdup(arena, fields[i].name);
        if (copy->field[i].name == NULL) return TYPE(UNKNOWN);
    }
    return (Type) {
        .id = TRIB_TYPE_ROW
        , .fields = copy
    };
}

Status type_copy(Arena *arena, Type type, Type *out, Error *err) {
    *out = type;
    if (type.fields == NULL) return TRIB_OK;
    TribTypeFields *copy;
    TRY_ALLOC(copy, fields_new(arena, type.fields->count), err);
    for (uint32_t i = 0; i < copy->count; i++) {
        const TribTypeField *field = &type.fields->field[i];
        TRY(type_copy(arena, field->type, &copy->field[i].type, err));
        if (field->name != NULL) {
            TRY_ALLOC(copy->field[i].name, arena_strdup(arena, field->name), err);
        }
    }
    out->fields = copy;
    return TRIB_OK;
}

static bool fields_equal(const TribTypeFields *a, const TribTypeFields *b) {
    if (a == b) return true;
    if (a == NULL || b == NULL || a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        const char *an = a->field[i].name, *bn = b->field[i].name;
        if ((an == NULL) != (bn == NULL)) return false;
        if (an != NULL && !str_equal(str_from(an), str_from(bn))) return false;
        if (!type_equal(a->field[i].type, b->field[i].type)) return false;
    }
    return true;
}

bool type_equal(Type a, Type b) {
    bool lengths = a.length == b.length ||
                   a.id == TRIB_TYPE_VARBINARY; /* it says how bytes are reported only */
    return a.id == b.id && a.precision == b.precision && a.scale == b.scale && lengths &&
           fields_equal(a.fields, b.fields);
}

bool type_is_integer(Type t) {
    return t.id >= TRIB_TYPE_TINYINT && t.id <= TRIB_TYPE_BIGINT;
}

bool type_is_numeric(Type t) {
    return t.id >= TRIB_TYPE_TINYINT && t.id <= TRIB_TYPE_DECIMAL;
}

bool type_is_text(Type t) {
    return t.id == TRIB_TYPE_VARCHAR || t.id == TRIB_TYPE_CHAR;
}

bool type_is_nested(Type t) {
    return t.id == TRIB_TYPE_ARRAY || t.id == TRIB_TYPE_MAP || t.id == TRIB_TYPE_ROW;
}

bool type_is_datetime(Type t) {
    return (t.id >= TRIB_TYPE_DATE && t.id <= TRIB_TYPE_TIMESTAMP_TZ) || t.id == TRIB_TYPE_TIME_TZ;
}

static bool fields_all(Type t, bool (*test)(Type)) {
    for (uint32_t i = 0; t.fields != NULL && i < t.fields->count; i++) {
        if (!test(t.fields->field[i].type)) return false;
    }
    return true;
}

bool type_comparable(Type t) {
    if (t.id == TRIB_TYPE_FUNCTION) return false;
    return fields_all(t, type_comparable);
}

bool type_orderable(Type t) {
    if (t.id == TRIB_TYPE_MAP || t.id == TRIB_TYPE_JSON || t.id == TRIB_TYPE_FUNCTION) return false;
    return fields_all(t, type_orderable);
}

uint8_t type_integer_digits(Type t) {
    switch (t.id) {
    case TRIB_TYPE_TINYINT: return 3;
    case TRIB_TYPE_SMALLINT: return 5;
    case TRIB_TYPE_INTEGER: return 10;
    case TRIB_TYPE_BIGINT: return 19;
    default: return 0;
    }
}

static const char *const id_names[] = {
#define TRIB_TYPE_ROW(number, name, sql_name) [number] = sql_name,
#include "connectors/ids.def"
};

const char *type_id_name(TypeId id) {
    return (size_t)id < COUNT_OF(id_names) ? id_names[id] : "unknown";
}

/* A field's name as it stands in row(...): quoted unless it is a plain lower-case identifier. */
static void field_name_print(Buf *out, const char *name) {
    bool plain = (name[0] >= 'a' && name[0] <= 'z') || name[0] == '_';
    for (const char *c = name; *c != '\0' && plain; c++) {
        plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_';
    }
    if (plain) {
        buf_text(out, name);
        return;
    }
    buf_char(out, '"');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '"') buf_char(out, '"');
        buf_char(out, *c);
    }
    buf_char(out, '"');
}

static void fields_print(Buf *out, Type t) {
    buf_char(out, '(');
    for (uint32_t i = 0; i < t.fields->count; i++) {
        if (i > 0) buf_text(out, ", ");
        if (t.fields->field[i].name != NULL) {
            field_name_print(out, t.fields->field[i].name);
            buf_char(out, ' ');
        }
        type_print(out, t.fields->field[i].type);
    }
    buf_char(out, ')');
}

void type_print(Buf *out, Type t) {
    switch (t.id) {
    case TRIB_TYPE_DECIMAL: buf_printf(out, "decimal(%d,%d)", t.precision, t.scale); return;
    case TRIB_TYPE_VARCHAR:
        buf_text(out, "varchar");
        if (t.length > 0) buf_printf(out, "(%u)", t.length);
        return;
    case TRIB_TYPE_CHAR: buf_printf(out, "char(%u)", t.length); return;
    case TRIB_TYPE_TIME: buf_printf(out, "time(%d)", t.precision); return;
    case TRIB_TYPE_TIME_TZ: buf_printf(out, "time(%d) with time zone", t.precision); return;
    case TRIB_TYPE_TIMESTAMP: buf_printf(out, "timestamp(%d)", t.precision); return;
    case TRIB_TYPE_TIMESTAMP_TZ:
        buf_printf(out, "timestamp(%d) with time zone", t.precision);
        return;
    default:
        buf_text(out, type_id_name((TypeId)t.id));
        if (t.fields != NULL) fields_print(out, t);
    }
}
