/*
 * json.c - json_parse, json_format and the functions over JSON arrays.
 *
 * json_parse makes the canonical text of json_item.h; the others read their argument as a stream. Functions that
 * take a JSON text as varchar give NULL for text that is no JSON array, as in Trino.
 */
#include "engine/base/number.h"
#include "engine/functions/helpers.h"
#include "engine/functions/json_item.h"

static Status kernel_parse(KernelCall *call) {
    Buf text;
    Status status = TRIB_OK;
    buf_init(&text, NULL,
             call->session && call->session->max_value_size ? call->session->max_value_size
                                                            : UINT32_MAX);
    KERNEL_ROWS(call, row, {
        text.len = 0;
        text.failed = text.exceeded = false;
        status = json_canonical(call->arena, arg_text(call, 0, row), &text, call->err);
        if (status == TRIB_OK) {
            status = kernel_put_buf(call, row, &text);
        } else if (status != TRIB_MEMORY) {
            row_error(call, row, text.exceeded ? ERR_LIMIT : ERR_JSON_TEXT);
            error_clear(call->err);
            status = TRIB_OK;
        }
        if (status != TRIB_OK) break;
    });
    buf_clear(&text);
    return status;
}

static Status kernel_format(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        row_view(call, row, text.data, text.len);
    });
    return TRIB_OK;
}

static Status kernel_is_scalar(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        JsonReader reader;
        JsonToken token;
        json_init(&reader, call->arena, arg_text(call, 0, row), false, JSON_MAX_DEPTH);
        Status status = json_next(&reader, &token, call->err);
        if (status == TRIB_MEMORY) return status;
        if (status != TRIB_OK) {
            row_error(call, row, ERR_JSON_TEXT);
            error_clear(call->err);
            continue;
        }
        ((uint8_t *)call->result->data)[row] =
            token != JSON_OBJECT_BEGIN && token != JSON_ARRAY_BEGIN;
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- arrays */

/* The next element of the array that a reader stands in: its first token; JSON_END behind the last one. Bad JSON
 * is an error other than TRIB_MEMORY. */
static Status element_next(JsonReader *reader, JsonToken *token, Error *err) {
    TRY(json_next(reader, token, err));
    if (*token == JSON_ARRAY_END) *token = JSON_END;
    return TRIB_OK;
}

/* Opens the array in a row's first argument; false in *is for anything else. */
static Status array_open(KernelCall *call, uint32_t row, JsonReader *reader, bool *is) {
    JsonToken token = JSON_END;
    json_init(reader, call->arena, arg_text(call, 0, row), false, JSON_MAX_DEPTH);
    Status status = json_next(reader, &token, call->err);
    *is = status == TRIB_OK && token == JSON_ARRAY_BEGIN;
    return status == TRIB_MEMORY ? status : TRIB_OK;
}

/* What a function does with an array: TRIB_OK with *null to say that there is no result. */
typedef Status (*ArrayBody)(KernelCall *call, uint32_t row, JsonReader *reader, bool *null);

static Status array_rows(KernelCall *call, ArrayBody body) {
    KERNEL_ROWS(call, row, {
        JsonReader reader;
        bool is;
        bool null = true;
        TRY(array_open(call, row, &reader, &is));
        if (is) {
            Status status = body(call, row, &reader, &null);
            if (status == TRIB_MEMORY) return status;
            if (status != TRIB_OK) null = true;
        }
        error_clear(call->err);
        if (null) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

static Status body_length(KernelCall *call, uint32_t row, JsonReader *reader, bool *null) {
    int64_t length = 0;
    for (;; length++) {
        JsonToken token;
        Str raw;
        TRY(element_next(reader, &token, call->err));
        if (token == JSON_END) break;
        TRY(json_skip(reader, token, &raw, call->err));
    }
    ((int64_t *)call->result->data)[row] = length;
    *null = false;
    return TRIB_OK;
}

static Status kernel_array_length(KernelCall *call) {
    return array_rows(call, body_length);
}

static bool number_is_integer(Str number) {
    for (size_t i = 0; i < number.len; i++) {
        char c = number.data[i];
        if (c == '.' || c == 'e' || c == 'E') return false;
    }
    return true;
}

/* Is the scalar that the reader has just read the value looked for? Only values of its own kind are. */
static bool element_equals(const KernelCall *call, uint32_t row, JsonToken token, Str text) {
    int64_t integer;
    double real;
    switch ((TypeId)call->args[1].type.id) {
    case TRIB_TYPE_BOOLEAN:
        return token == (KERNEL_ARG(call, 1, uint8_t, row) ? JSON_TRUE : JSON_FALSE);
    case TRIB_TYPE_BIGINT:
        return token == JSON_NUMBER && int64_parse(text, &integer) == NUMBER_OK &&
               integer == KERNEL_ARG(call, 1, int64_t, row);
    case TRIB_TYPE_DOUBLE:
        return token == JSON_NUMBER && !number_is_integer(text) &&
               double_parse(text, &real) == NUMBER_OK && real == KERNEL_ARG(call, 1, double, row);
    default: return token == JSON_STRING && str_equal(text, arg_text(call, 1, row));
    }
}

static Status body_contains(KernelCall *call, uint32_t row, JsonReader *reader, bool *null) {
    bool found = false;
    while (!found) {
        JsonToken token;
        Str raw;
        TRY(element_next(reader, &token, call->err));
        if (token == JSON_END) break;
        found = element_equals(call, row, token, reader->text);
        if (token == JSON_ARRAY_BEGIN || token == JSON_OBJECT_BEGIN) found = false;
        TRY(json_skip(reader, token, &raw, call->err));
    }
    ((uint8_t *)call->result->data)[row] = found;
    *null = false;
    return TRIB_OK;
}

static Status kernel_array_contains(KernelCall *call) {
    return array_rows(call, body_contains);
}

/* Text comes without its quotes, as Trino has it. */
static Status element_put(KernelCall *call, uint32_t row, const JsonItem *item) {
    Buf text;
    if (item->kind == JSON_ITEM_STRING)
        return kernel_put_text(call, row, item->text.data, item->text.len);
    buf_init(&text, call->arena, UINT32_MAX);
    json_item_write(&text, item);
    return kernel_put_buf(call, row, &text);
}

static Status body_get(KernelCall *call, uint32_t row, JsonReader *reader, bool *null) {
    int64_t index = arg_int64(call, 1, row);
    JsonItem array, item;
    if (index < 0) { /* the end decides */
        TRY(json_item_read(reader, JSON_ARRAY_BEGIN, &array, call->err));
        if (index < -(int64_t)array.count) return TRIB_OK;
        item = array.items[array.count + index];
    } else {
        for (int64_t i = 0;; i++) {
            JsonToken token;
            Str raw;
            TRY(element_next(reader, &token, call->err));
            if (token == JSON_END) return TRIB_OK;
            if (i < index) {
                TRY(json_skip(reader, token, &raw, call->err));
                continue;
            }
            TRY(json_item_read(reader, token, &item, call->err));
            break;
        }
    }
    if (item.kind == JSON_ITEM_NULL) return TRIB_OK;
    *null = false;
    return element_put(call, row, &item);
}

static Status kernel_array_get(KernelCall *call) {
    return array_rows(call, body_get);
}

/* ---------------------------------------------------------------- rows */

#define JSON_ROW(ID, SIGNATURE, RAISES, KERNEL, HELP)                                 \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = KERNEL, .family = "json", .help = HELP                              \
    }
#define CONTAINS(TYPE)                                                                       \
    JSON_ROW(json_array_contains, "json, " TYPE " -> boolean", false, kernel_array_contains, \
             "Whether a JSON array has a value among its elements."),                        \
        JSON_ROW(json_array_contains, "varchar, " TYPE " -> boolean", false,                 \
                 kernel_array_contains, "Whether a JSON array has a value among its elements.")

static const Function rows[] = {
    JSON_ROW(json_parse, "varchar -> json", true, kernel_parse,
             "The JSON value of a text, in canonical form with sorted keys."),
    JSON_ROW(json_format, "json -> varchar", false, kernel_format, "The text of a JSON value."),
    JSON_ROW(is_json_scalar, "json -> boolean", true, kernel_is_scalar,
             "Whether a JSON value is neither array nor object."),
    JSON_ROW(is_json_scalar, "varchar -> boolean", true, kernel_is_scalar,
             "Whether a JSON value is neither array nor object."),
    JSON_ROW(json_array_length, "json -> bigint", false, kernel_array_length,
             "The number of elements of a JSON array; NULL for anything else."),
    JSON_ROW(json_array_length, "varchar -> bigint", false, kernel_array_length,
             "The number of elements of a JSON array; NULL for anything else."),
    CONTAINS("bigint"),
    CONTAINS("double"),
    CONTAINS("boolean"),
    CONTAINS("varchar"),
    JSON_ROW(json_array_get, "json, bigint -> json", true, kernel_array_get,
             "The element of a JSON array at a position from 0, or from the end if negative."),
    JSON_ROW(json_array_get, "varchar, bigint -> json", true, kernel_array_get,
             "The element of a JSON array at a position from 0, or from the end if negative."),
};

FUNCTION_TABLE(functions_json, rows);
