/*
 * json_sql.c - the kernels of json_exists, json_value, json_query, json_object and json_array.
 *
 * Row by row: the input is read into a tree in an arena of the row, the path runs over it, and the sequence becomes
 * the result as the call's clauses say. Whatever fails on the way, bad JSON included, goes through ON ERROR.
 */
#include "engine/functions/json_sql.h"

#include "engine/base/number.h"
#include "engine/functions/helpers.h"
#include "engine/kernels/cast.h"

/* What the rows of one call share. */
typedef struct JsonRows {
    KernelCall *call;
    const JsonSql *sql;
    Arena *arena; /* of the row */
    Buf text;
    JsonItem *items; /* arguments, or elements of what is built */
    uint32_t row;
} JsonRows;

bool json_sql_accepts(Type type, bool datetime) {
    return type.id == TRIB_TYPE_BOOLEAN || type_is_numeric(type) || type_is_text(type) ||
           type.id == TRIB_TYPE_JSON || (datetime && type_is_datetime(type));
}

/* ---------------------------------------------------------------- arguments */

static Status number_item(JsonRows *r, const Value *value, JsonItem *out) {
    char text[DECIMAL_TEXT_MAX + NUMBER_TEXT_MAX];
    size_t len;
    bool real = value->type.id == TRIB_TYPE_REAL, exact = value->type.id == TRIB_TYPE_DECIMAL;
    if (exact) {
        Int128 unscaled = value->type.precision <= 18 ? value->as.integer : value->as.wide;
        len = decimal_format(unscaled, value->type.scale, text);
    } else if (real || value->type.id == TRIB_TYPE_DOUBLE) {
        len =
            real ? float_format((float)value->as.real, text) : double_format(value->as.real, text);
        if (memchr(text, 'E', len) == NULL) { /* so that it stays a double */
            memcpy(text + len, "E0", 2);
            len += 2;
        }
    } else {
        len = int64_format(value->as.integer, text);
    }
    *out = (JsonItem){.kind = JSON_ITEM_NUMBER, .boolean = exact};
    TRY_ALLOC(out->text.data, arena_copy(r->arena, text, len), r->call->err);
    out->text.len = len;
    return TRIB_OK;
}

/* An argument of the row as an item; *fault for bad JSON and numbers that JSON does not have. */
static Status argument_item(JsonRows *r, uint32_t index, bool format, JsonItem *out,
                            ErrorCode *fault) {
    const Vector *v = &r->call->args[index];
    uint32_t position = v->form == VECTOR_CONSTANT ? 0 : r->row;
    *out = (JsonItem){.kind = JSON_ITEM_NULL};
    if (vector_is_null(v, position)) return TRIB_OK;
    if (format || v->type.id == TRIB_TYPE_JSON) {
        Status status = json_item_parse(
            r->arena, strview_str(&((const StrView *)v->data)[position]), out, r->call->err);
        if (status == TRIB_OK || status == TRIB_MEMORY) return status;
        error_clear(r->call->err);
        *fault = ERR_JSON_TEXT;
        return TRIB_OK;
    }
    Value *value;
    TRY_ALLOC(value, ARENA_NEW(r->arena, Value), r->call->err);
    TRY(vector_value(r->arena, v, position, value, r->call->err));
    if (type_is_text(v->type)) {
        *out = (JsonItem){.kind = JSON_ITEM_STRING,
                          .text = {value->as.text.data, value->as.text.length}};
    } else if (type_is_datetime(v->type)) {
        *out = (JsonItem){.kind = JSON_ITEM_DATETIME, .value = value};
    } else if (v->type.id == TRIB_TYPE_BOOLEAN) {
        *out = (JsonItem){.kind = JSON_ITEM_BOOLEAN, .boolean = value->as.integer != 0};
    } else {
        bool real = v->type.id == TRIB_TYPE_REAL || v->type.id == TRIB_TYPE_DOUBLE;
        if (real && value->as.real - value->as.real != 0) *fault = ERR_OUT_OF_RANGE;
        return number_item(r, value, out);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- results */

static Status put_text(JsonRows *r, Str text) {
    Type to = r->call->result_type;
    if (type_is_text(to) && to.length > 0) {
        text.len = utf8_offset(text.data, text.len, to.length);
        while (to.id == TRIB_TYPE_CHAR && text.len > 0 && text.data[text.len - 1] == ' ')
            text.len--;
    }
    return kernel_put_text(r->call, r->row, text.data, text.len);
}

static Status put_item(JsonRows *r, const JsonItem *item) {
    r->text.len = 0;
    r->text.failed = r->text.exceeded = false;
    json_item_write(&r->text, item);
    if (r->text.failed) return kernel_put_buf(r->call, r->row, &r->text);
    return put_text(r, buf_view(&r->text));
}

/* The row's value of an argument that has the result's type. */
static Status put_argument(JsonRows *r, uint32_t index) {
    const Vector *v = &r->call->args[index];
    uint32_t position = v->form == VECTOR_CONSTANT ? 0 : r->row;
    size_t size = physical_size((PhysicalType)v->physical);
    if (vector_is_null(v, position)) return kernel_set_null(r->call, r->row);
    memcpy((char *)r->call->result->data + r->row * size, (const char *)v->data + position * size,
           size);
    return TRIB_OK;
}

static Status behave(JsonRows *r, JsonSqlBehaviour behaviour, uint32_t argument, ErrorCode code) {
    JsonItem empty = {.kind = JSON_ITEM_ARRAY};
    switch (behaviour) {
    case JSON_DO_NULL: return kernel_set_null(r->call, r->row);
    case JSON_DO_ERROR: row_error(r->call, r->row, code); return TRIB_OK;
    case JSON_DO_DEFAULT: return put_argument(r, argument);
    case JSON_DO_TRUE:
    case JSON_DO_FALSE:
        ((uint8_t *)r->call->result->data)[r->row] = behaviour == JSON_DO_TRUE;
        return TRIB_OK;
    case JSON_DO_EMPTY_OBJECT: empty.kind = JSON_ITEM_OBJECT; break;
    default: break;
    }
    return put_item(r, &empty);
}

static Status behave_error(JsonRows *r, ErrorCode code) {
    return behave(r, r->sql->on_error, r->sql->error_default, code);
}

/* ---------------------------------------------------------------- json_value */

/* The scalar as a vector of one value of the SQL type that is nearest to it. */
static Status scalar_vector(JsonRows *r, const JsonItem *item, Vector *out, ErrorCode *fault) {
    Value value = {.type = type_varchar(0)};
    JsonNumber n;
    switch (item->kind) {
    case JSON_ITEM_BOOLEAN:
        value.type = TYPE(BOOLEAN);
        value.as.integer = item->boolean;
        break;
    case JSON_ITEM_DATETIME: value = *item->value; break;
    case JSON_ITEM_NUMBER:
        if (!json_number_read(item->text, &n)) {
            *fault = ERR_OUT_OF_RANGE;
        } else if (n.kind == JSON_DOUBLE) {
            value.type = TYPE(DOUBLE);
            value.as.real = n.real;
        } else if (n.scale == 0 && n.unscaled == (int64_t)n.unscaled) {
            value.type = TYPE(BIGINT);
            value.as.integer = (int64_t)n.unscaled;
        } else {
            value.type = type_decimal(DECIMAL_MAX_DIGITS, (int8_t)n.scale);
            value.as.wide = n.unscaled;
        }
        break;
    default:
        value.as.text.data = item->text.data;
        value.as.text.length = item->text.len;
        break;
    }
    TRY(vector_new(r->arena, value.type, 1, out, r->call->err));
    return vector_set(r->arena, out, 0, &value, r->call->err);
}

static Status put_cast(JsonRows *r, const Vector *scalar) {
    KernelCall *call = r->call;
    Type to = call->result_type;
    Vector result = *scalar;
    uint8_t error = 0;
    if (!cast_is_renaming(scalar->type, to)) {
        Kernel kernel = cast_kernel(scalar->type, to);
        if (kernel == NULL) return behave_error(r, ERR_INVALID_CAST);
        TRY(vector_new(r->arena, to, 1, &result, call->err));
        KernelCall one = {.nargs = 1,
                          .args = scalar,
                          .count = 1,
                          .positions = 1,
                          .result_type = to,
                          .result = &result,
                          .errors = &error,
                          .arena = r->arena,
                          .session = call->session,
                          .err = call->err};
        TRY(kernel(&one));
    }
    if (error != 0) return behave_error(r, (ErrorCode)(error - 1));
    if (vector_is_null(&result, 0)) return kernel_set_null(call, r->row);
    if (result.physical == PHYS_STRING)
        return put_text(r, strview_str((const StrView *)result.data));
    size_t size = physical_size((PhysicalType)result.physical);
    memcpy((char *)call->result->data + r->row * size, result.data, size);
    return TRIB_OK;
}

static Status put_scalar(JsonRows *r, const JsonSequence *found) {
    const JsonItem *item = found->items;
    Vector scalar;
    ErrorCode code = (ErrorCode)0;
    if (found->count > 1) return behave_error(r, ERR_JSON_MANY);
    if (item->kind == JSON_ITEM_NULL) return kernel_set_null(r->call, r->row);
    if (item->kind == JSON_ITEM_ARRAY || item->kind == JSON_ITEM_OBJECT)
        return behave_error(r, ERR_JSON_SCALAR);
    if (item->kind == JSON_ITEM_NUMBER && type_is_text(r->call->result_type))
        return put_item(r, item);
    TRY(scalar_vector(r, item, &scalar, &code));
    if (code != (ErrorCode)0) return behave_error(r, code);
    return put_cast(r, &scalar);
}

/* ---------------------------------------------------------------- json_query */

static Status put_query(JsonRows *r, const JsonSequence *found) {
    const JsonItem *item = found->items;
    bool container = item->kind == JSON_ITEM_ARRAY || item->kind == JSON_ITEM_OBJECT;
    bool wrap = r->sql->wrapper == JSON_WRAP_ALWAYS ||
                (r->sql->wrapper == JSON_WRAP_CONDITIONAL && (found->count > 1 || !container));
    if (wrap) {
        JsonItem array = {.kind = JSON_ITEM_ARRAY, .count = found->count, .items = found->items};
        return put_item(r, &array);
    }
    if (found->count > 1) return behave_error(r, ERR_JSON_MANY);
    if (r->sql->omit_quotes && item->kind == JSON_ITEM_STRING) return put_text(r, item->text);
    return put_item(r, item);
}

/* ---------------------------------------------------------------- paths */

static Status path_row(JsonRows *r) {
    const JsonSql *sql = r->sql;
    JsonItem input;
    JsonSequence found;
    ErrorCode code = (ErrorCode)0;
    const Vector *v = &r->call->args[0];
    if (vector_is_null(v, v->form == VECTOR_CONSTANT ? 0 : r->row))
        return kernel_set_null(r->call, r->row);
    TRY(argument_item(r, 0, true, &input, &code));
    for (uint32_t i = 0; i < sql->nnames && code == (ErrorCode)0; i++)
        TRY(argument_item(r, i + 1, sql->format[i + 1], &r->items[i], &code));
    if (code == (ErrorCode)0)
        TRY(json_path_run(sql->path, r->arena, &input, r->items, &found, &code, r->call->err));
    if (code != (ErrorCode)0) return behave_error(r, code);
    if (sql->id == TRIB_FN_json_exists) {
        ((uint8_t *)r->call->result->data)[r->row] = found.count > 0;
        return TRIB_OK;
    }
    if (found.count == 0) {
        /* Where EMPTY is an error, that is an error like others. */
        if (sql->on_empty == JSON_DO_ERROR) return behave_error(r, ERR_JSON_NONE);
        return behave(r, sql->on_empty, sql->empty_default, ERR_JSON_NONE);
    }
    return sql->id == TRIB_FN_json_value ? put_scalar(r, &found) : put_query(r, &found);
}

/* ---------------------------------------------------------------- json_object, json_array */

static bool keys_unique(const JsonItem *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (str_equal(items[i].key, items[j].key)) return false;
        }
    }
    return true;
}

static Status build_row(JsonRows *r) {
    const JsonSql *sql = r->sql;
    bool object = sql->id == TRIB_FN_json_object;
    JsonItem built = {.kind = object ? JSON_ITEM_OBJECT : JSON_ITEM_ARRAY, .items = r->items};
    ErrorCode code = (ErrorCode)0;
    for (uint32_t i = 0; i < r->call->nargs; i += object ? 2 : 1) {
        JsonItem key = {0}, *item = &r->items[built.count];
        if (object) TRY(argument_item(r, i, false, &key, &code));
        if (object && key.kind != JSON_ITEM_STRING) code = ERR_INVALID_ARGUMENT;
        TRY(argument_item(r, object ? i + 1 : i, sql->format[object ? i / 2 : i], item, &code));
        item->key = key.text;
        const Vector *v = &r->call->args[object ? i + 1 : i];
        bool null = vector_is_null(v, v->form == VECTOR_CONSTANT ? 0 : r->row);
        if (!null || !sql->absent_on_null) built.count++;
    }
    if (sql->unique_keys && !keys_unique(built.items, built.count)) code = ERR_JSON_KEY;
    if (code == (ErrorCode)0) return put_item(r, &built);
    row_error(r->call, r->row, code);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status kernel_json_sql(KernelCall *call) {
    const JsonSql *sql = call->function->context;
    JsonRows r = {.call = call, .sql = sql};
    bool builds = sql->id == TRIB_FN_json_object || sql->id == TRIB_FN_json_array;
    Status status = TRIB_OK;
    TRY_ALLOC(r.items, ARENA_ARRAY(call->arena, JsonItem, call->nargs + (size_t)1), call->err);
    TRY_ALLOC(r.arena, arena_new(call->arena), call->err);
    buf_init(&r.text, NULL,
             call->session && call->session->max_value_size ? call->session->max_value_size
                                                            : UINT32_MAX);
    KERNEL_ROWS(call, row, {
        r.row = row;
        arena_reset(r.arena);
        status = builds ? build_row(&r) : path_row(&r);
        if (status != TRIB_OK) break;
    });
    buf_clear(&r.text);
    arena_free(r.arena);
    return status;
}

static Status resolve_refused(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    return error_set(err, ERR_SYNTAX, "SQL/JSON functions are called by their own syntax");
}

#define JSON_SQL(ID, SIGNATURE, HELP)                                                   \
    {                                                                                   \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .nulls = NULLS_CALLED, \
        .may_raise = true, .kernel = kernel_json_sql, .resolve = resolve_refused,       \
        .family = "json", .help = HELP                                                  \
    }

static const Function rows[] = {
    JSON_SQL(json_exists, "E, varchar -> *",
             "Whether a path finds something: JSON_EXISTS(input, 'lax $.a' [PASSING ..] [.. ON "
             "ERROR])."),
    JSON_SQL(
        json_value, "E, varchar -> *",
        "The scalar that a path finds: JSON_VALUE(input, path [RETURNING type] [.. ON EMPTY])."),
    JSON_SQL(json_query, "E, varchar -> *",
             "The JSON that a path finds: JSON_QUERY(input, path [WITH WRAPPER] [OMIT QUOTES])."),
    JSON_SQL(json_object, "E... -> *", "A JSON object: JSON_OBJECT('key' : value, ..)."),
    JSON_SQL(json_array, "E... -> *", "A JSON array: JSON_ARRAY(element, ..)."),
};

FUNCTION_TABLE(functions_json_sql, rows);

Status json_sql_function(Arena *arena, const JsonSql *call, const Function **out, Error *err) {
    Function *self;
    TRY_ALLOC(self, ARENA_NEW(arena, Function), err);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (rows[i].id == call->id) *self = rows[i];
    }
    self->context = call;
    bool path = call->id == TRIB_FN_json_exists || call->id == TRIB_FN_json_value;
    self->may_raise = !path || call->on_error == JSON_DO_ERROR;
    *out = self;
    return TRIB_OK;
}
