/*
 * cast_json.c - CAST to and from JSON.
 *
 * From JSON the document is read as a stream, straight into the result: arrays into lists, objects into maps and rows
 * (by name, without regard to case), arrays into rows by position. The elements of a list stand behind those of the
 * lists before it, so each level knows where its next element goes. Recursion follows the nesting of the type.
 */
#include "engine/kernels/loop.h"
#include "engine/base/json.h"
#include "engine/kernels/cast.h"

#define JSON_DEPTH_MAX 1000

Status cast_to_json(KernelCall *call) {
    const Vector *v = &call->args[0];
    Buf text;
    uint64_t limit = call->session != NULL && call->session->max_value_size != 0
                         ? call->session->max_value_size
                         : UINT32_MAX;
    Status status = TRIB_OK;
    buf_init(&text, NULL, limit);
    KERNEL_ROWS(call, row, {
        Value value;
        text.len = 0;
        text.failed = text.exceeded = false;
        status = vector_value(call->arena, v, row, &value, call->err);
        if (status != TRIB_OK) break;
        value_json(&text, &value);
        status = kernel_put_buf(call, row, &text);
        if (status != TRIB_OK) break;
    });
    buf_clear(&text);
    return status;
}

/* ---------------------------------------------------------------- from JSON */

/* Reading one document; error: the row's. */
typedef struct JsonCast {
    KernelCall *call;
    JsonReader reader;
    uint8_t error;
} JsonCast;

static Status value_read(JsonCast *c, JsonToken token, Vector *out, uint32_t at);

static void fail(JsonCast *c) {
    if (c->error == 0) c->error = KERNEL_ERROR(ERR_INVALID_CAST);
}

/* The next token; JSON_END after bad JSON, with the error set. */
static Status token_next(JsonCast *c, JsonToken *token) {
    Error own;
    Status status = json_next(&c->reader, token, &own);
    if (status == TRIB_OK) return TRIB_OK;
    *token = JSON_END;
    fail(c);
    return status == TRIB_MEMORY ? error_out_of_memory(c->call->err) : TRIB_OK;
}

static Status position_null(JsonCast *c, Vector *out, uint32_t at) {
    TRY(vector_need_validity(c->call->arena, out, c->call->err));
    bitmap_unset(out->validity, at);
    return TRIB_OK;
}

static Status text_put(JsonCast *c, Vector *out, uint32_t at, Str text) {
    char *copy = NULL;
    if (text.len > STRVIEW_INLINE)
        TRY_ALLOC(copy, arena_copy(c->call->arena, text.data, text.len), c->call->err);
    ((StrView *)out->data)[at] = strview_of(copy ? copy : text.data, text.len);
    return TRIB_OK;
}

/* Whole numbers are also read from 1.0 and 1e3. */
static uint8_t integer_read(const EvalSession *session, Str text, Type to, void *out) {
    double real;
    Int128 value;
    uint8_t error = text_parse_value(session, text, to, out);
    Type wide = type_decimal(DECIMAL_MAX_DIGITS, 0);
    if (error == 0 || !type_is_integer(to)) return error;
    if (text_parse_value(session, text, TYPE(DOUBLE), &real) != 0 ||
        text_parse_value(session, text, wide, &value) != 0)
        return error;
    char digits[DECIMAL_TEXT_MAX];
    size_t len = decimal_format(value, 0, digits);
    return text_parse_value(session, (Str){digits, len}, to, out);
}

/* A string, number or truth value, or the key of an object. */
static Status scalar_put(JsonCast *c, JsonToken token, Str text, Vector *out, uint32_t at) {
    Type to = out->type;
    bool boolean = token == JSON_TRUE || token == JSON_FALSE;
    if (boolean) text = token == JSON_TRUE ? STR("true") : STR("false");
    if (type_is_text(to)) {
        if (to.length > 0) text.len = utf8_offset(text.data, text.len, to.length);
        while (to.id == TRIB_TYPE_CHAR && text.len > 0 && text.data[text.len - 1] == ' ')
            text.len--;
        return text_put(c, out, at, text);
    }
    if (boolean && type_is_numeric(to)) text = token == JSON_TRUE ? STR("1") : STR("0");
    size_t size = physical_size((PhysicalType)out->physical);
    uint8_t error = integer_read(c->call->session, text, to, (char *)out->data + at * size);
    if (error != 0 && c->error == 0) c->error = error;
    return TRIB_OK;
}

/* Is the key of a map's entry there already? Text keys of a JSON value differ; others may become equal. */
static bool key_repeated(const Vector *keys, uint32_t first, uint32_t at) {
    for (uint32_t i = first; i < at; i++) {
        if (vector_equal(keys, i, keys, at)) return true;
    }
    return false;
}

static Status list_read(JsonCast *c, JsonToken token, Vector *out, uint32_t at) {
    bool map = out->type.id == TRIB_TYPE_MAP;
    uint32_t first = out->entries, n = 0;
    Arena *arena = c->call->arena;
    if (token != (map ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN)) fail(c);
    while (c->error == 0) {
        Vector *values = &out->children[map];
        TRY(token_next(c, &token));
        if (token == JSON_OBJECT_END || token == JSON_ARRAY_END || token == JSON_END) break;
        if (map) {
            TRY(vector_reserve(arena, &out->children[0], first + n + 1, c->call->err));
            if (out->children[0].validity != NULL) bitmap_set(out->children[0].validity, first + n);
            TRY(scalar_put(c, JSON_STRING, c->reader.text, &out->children[0], first + n));
            if (c->error == 0 && out->children[0].physical != PHYS_STRING &&
                key_repeated(&out->children[0], first, first + n))
                fail(c);
            TRY(token_next(c, &token));
        }
        TRY(vector_reserve(arena, values, first + n + 1, c->call->err));
        if (c->error == 0) TRY(value_read(c, token, values, first + n));
        n++;
    }
    if (c->error != 0) n = 0;
    ((ListEntry *)out->data)[at] = (ListEntry){first, n};
    out->entries += n;
    return TRIB_OK;
}

/* The field with a name; the number of fields if there is none. */
static uint32_t field_find(Type row, Str name) {
    uint32_t count = row.fields->count;
    for (uint32_t i = 0; i < count; i++) {
        const char *own = row.fields->field[i].name;
        if (own != NULL && str_equal_fold(str_from(own), name)) return i;
    }
    return count;
}

static Status field_skip(JsonCast *c, JsonToken token) {
    Str raw;
    Error own;
    Status status = json_skip(&c->reader, token, &raw, &own);
    if (status == TRIB_MEMORY) return error_out_of_memory(c->call->err);
    if (status != TRIB_OK) fail(c);
    return TRIB_OK;
}

static Status row_read(JsonCast *c, JsonToken token, Vector *out, uint32_t at) {
    bool object = token == JSON_OBJECT_BEGIN;
    uint32_t n = 0, count = out->nchildren;
    if (!object && token != JSON_ARRAY_BEGIN) fail(c);
    for (uint32_t i = 0; i < count && c->error == 0 && object; i++)
        TRY(position_null(c, &out->children[i], at));
    while (c->error == 0) {
        uint32_t field = n;
        TRY(token_next(c, &token));
        if (token == JSON_OBJECT_END || token == JSON_ARRAY_END || token == JSON_END) break;
        if (object) {
            field = field_find(out->type, c->reader.text);
            TRY(token_next(c, &token));
        } else if (n == count) {
            fail(c);
            break;
        }
        n++;
        if (field == count) {
            TRY(field_skip(c, token));
        } else if (c->error == 0) {
            TRY(value_read(c, token, &out->children[field], at));
        }
    }
    if (!object && n != count) fail(c);
    return TRIB_OK;
}

/* The value that begins with a token, as one of the vector's type. */
static Status value_read(JsonCast *c, JsonToken token, Vector *out, uint32_t at) {
    if (out->validity != NULL) bitmap_set(out->validity, at);
    if (out->type.id == TRIB_TYPE_JSON) {
        Str raw;
        Error own;
        Status status = json_skip(&c->reader, token, &raw, &own);
        if (status == TRIB_OK) return text_put(c, out, at, raw);
        fail(c);
        return status == TRIB_MEMORY ? error_out_of_memory(c->call->err) : TRIB_OK;
    }
    if (token == JSON_NULL) return position_null(c, out, at);
    if (out->physical == PHYS_LIST) return list_read(c, token, out, at);
    if (out->physical == PHYS_ROW) return row_read(c, token, out, at);
    if (token == JSON_ARRAY_BEGIN || token == JSON_OBJECT_BEGIN) {
        fail(c);
        return TRIB_OK;
    }
    return scalar_put(c, token, c->reader.text, out, at);
}

Status cast_from_json(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        JsonCast c = {.call = call};
        JsonToken token;
        json_init(&c.reader, call->arena, strview_str(&KERNEL_ARG(call, 0, StrView, row)), false,
                  JSON_DEPTH_MAX);
        TRY(token_next(&c, &token));
        if (c.error == 0) TRY(value_read(&c, token, call->result, row));
        if (c.error == 0) TRY(token_next(&c, &token));
        if (c.error == 0 && token != JSON_END) fail(&c);
        if (c.error != 0) call->errors[row] = c.error;
    });
    return TRIB_OK;
}
