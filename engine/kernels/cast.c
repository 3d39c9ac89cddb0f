/*
 * cast.c - which kernel converts what; JSON and nested values.
 *
 * Nested values are converted element-wise: the elements of all rows are one long vector, which goes
 * through the elements' own kernel in blocks of BATCH_ROWS. An error of an element is an error of
 * its row. Recursion follows the nesting of the type.
 */
#include "engine/kernels/loop.h"
#include "engine/base/json.h"
#include "engine/kernels/cast.h"

#define JSON_DEPTH_MAX 1000

static bool fields_renaming(const TribTypeFields *from, const TribTypeFields *to) {
    if (from->count != to->count) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!cast_is_renaming(from->field[i].type, to->field[i].type)) return false;
    }
    return true;
}

bool cast_is_renaming(Type from, Type to) {
    if (type_equal(from, to)) return true;
    if (from.id != to.id || type_physical(from) != type_physical(to)) return false;
    switch (from.id) {
    case TRIB_TYPE_VARCHAR: return to.length == 0 || (from.length != 0 && from.length <= to.length);
    case TRIB_TYPE_CHAR: return from.length <= to.length;
    case TRIB_TYPE_DECIMAL: return from.scale == to.scale && from.precision <= to.precision;
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: return from.precision <= to.precision;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return fields_renaming(from.fields, to.fields);
    default: return true;
    }
}

Kernel cast_kernel(Type from, Type to) {
    bool numeric = (type_is_numeric(from) || from.id == TRIB_TYPE_BOOLEAN) &&
                   (type_is_numeric(to) || to.id == TRIB_TYPE_BOOLEAN);
    if (!type_castable(from, to)) return NULL;
    if (from.id == TRIB_TYPE_JSON) return cast_from_json;
    if (to.id == TRIB_TYPE_JSON) return cast_to_json;
    if (type_is_nested(from)) return cast_nested;
    if (type_is_text(to)) return cast_to_text;
    if (to.id == TRIB_TYPE_VARBINARY || (to.id == TRIB_TYPE_UUID && !type_is_text(from))) {
        return cast_bytes;
    }
    if (type_is_text(from)) return cast_from_text;
    if (numeric) return cast_number_kernel(from, to);
    if (type_is_datetime(from) && type_is_datetime(to)) return cast_datetime_kernel(from, to);
    return NULL; /* the same interval: a renaming */
}

/* ---------------------------------------------------------------- json */

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

/* The one scalar of a JSON text. JSON_END for arrays, objects and bad JSON. */
static JsonToken json_scalar(KernelCall *call, Str document, Str *text) {
    JsonReader reader;
    JsonToken token, end;
    Error ignored;
    json_init(&reader, call->arena, document, false, JSON_DEPTH_MAX);
    if (json_next(&reader, &token, &ignored) != TRIB_OK) return JSON_END;
    if (token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN) return JSON_END;
    *text = token == JSON_TRUE ? STR("true") : token == JSON_FALSE ? STR("false") : reader.text;
    if (json_next(&reader, &end, &ignored) != TRIB_OK || end != JSON_END) return JSON_END;
    return token;
}

static Status json_convert(KernelCall *call, uint32_t row, Str text, bool boolean) {
    Type to = call->result_type;
    size_t size = physical_size((PhysicalType)call->result->physical);
    void *out = (char *)call->result->data + row * size;
    if (type_is_text(to)) {
        size_t len = to.length == 0 ? text.len : utf8_offset(text.data, text.len, to.length);
        while (to.id == TRIB_TYPE_CHAR && len > 0 && text.data[len - 1] == ' ') len--;
        return kernel_put_text(call, row, text.data, len);
    }
    if (boolean && type_is_numeric(to)) text = str_equal(text, STR("true")) ? STR("1") : STR("0");
    call->errors[row] = text_parse_value(call->session, text, to, out);
    if (call->errors[row] && type_is_integer(to)) { /* 1.0, 1e3 */
        double real;
        Int128 value;
        Type wide = type_decimal(DECIMAL_MAX_DIGITS, 0);
        if (text_parse_value(call->session, text, TYPE(DOUBLE), &real) != 0 ||
            text_parse_value(call->session, text, wide, &value) != 0) {
            return TRIB_OK;
        }
        char digits[DECIMAL_TEXT_MAX];
        size_t len = decimal_format(value, 0, digits);
        call->errors[row] = text_parse_value(call->session, (Str){digits, len}, to, out);
    }
    return TRIB_OK;
}

Status cast_from_json(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        Str text = {"", 0};
        Str document = strview_str(&KERNEL_ARG(call, 0, StrView, row));
        JsonToken token = json_scalar(call, document, &text);
        if (token == JSON_END) {
            call->errors[row] = KERNEL_ERROR(ERR_INVALID_CAST);
        } else if (token == JSON_NULL) {
            TRY(kernel_set_null(call, row));
        } else {
            bool boolean = token == JSON_TRUE || token == JSON_FALSE;
            TRY(json_convert(call, row, text, boolean));
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- nested values */

/* Converts one block of at most BATCH_ROWS positions, dense, into `out` (FLAT). */
static Status block_cast(KernelCall *outer, const Vector *in, uint32_t count, Type to, Vector *out,
                         uint8_t *errors) {
    uint16_t rows[BATCH_ROWS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[n] = (uint16_t)i;
        n += !vector_is_null(in, i);
    }
    Vector flat;
    TRY(vector_flatten(outer->arena, in, NULL, count, count, &flat, outer->err));
    if (cast_is_renaming(in->type, to)) {
        *out = flat;
        return vector_retype(outer->arena, out, to, outer->err);
    }
    TRY(vector_new(outer->arena, to, count, out, outer->err));
    for (uint32_t i = 0, next = 0; i < count; i++) {
        bool valid = next < n && rows[next] == i;
        next += valid;
        if (valid) continue;
        TRY(vector_need_validity(outer->arena, out, outer->err));
        bitmap_unset(out->validity, i);
    }
    KernelCall call = {.nargs = 1,
                       .args = &flat,
                       .selection = rows,
                       .count = n,
                       .positions = count,
                       .result_type = to,
                       .result = out,
                       .errors = errors,
                       .arena = outer->arena,
                       .session = outer->session,
                       .err = outer->err};
    Kernel kernel = cast_kernel(in->type, to);
    return n == 0 || kernel == NULL ? TRIB_OK : kernel(&call);
}

/* Elements [offset, offset + length) of `in` converted and appended to `out` at out_at. The first
 * error goes to *error. */
static Status elements_cast(KernelCall *outer, const Vector *in, uint32_t offset, uint32_t length,
                            Vector *out, uint32_t out_at, uint8_t *error) {
    uint32_t positions[BATCH_ROWS];
    for (uint32_t done = 0; done < length;) {
        uint32_t n = length - done < BATCH_ROWS ? length - done : BATCH_ROWS;
        uint8_t errors[BATCH_ROWS];
        memset(errors, 0, n);
        for (uint32_t i = 0; i < n; i++) positions[i] = offset + done + i;
        Vector block, converted;
        TRY(vector_gather(outer->arena, in, positions, n, &block, outer->err));
        TRY(block_cast(outer, &block, n, out->type, &converted, errors));
        for (uint32_t i = 0; i < n && *error == 0; i++) *error = errors[i];
        if (*error != 0) return TRIB_OK;
        TRY(vector_append(outer->arena, out, out_at + done, &converted, NULL, n, outer->err));
        done += n;
    }
    return TRIB_OK;
}

static Status list_cast(KernelCall *call, const Vector *in, uint32_t position, uint32_t row) {
    ListEntry entry = ((const ListEntry *)in->data)[position];
    Vector *out = call->result;
    for (uint32_t c = 0; c < in->nchildren; c++) {
        TRY(elements_cast(call, &in->children[c], entry.offset, entry.length, &out->children[c],
                          out->entries, &call->errors[row]));
        if (call->errors[row] != 0) return TRIB_OK;
    }
    ((ListEntry *)out->data)[row] = (ListEntry){out->entries, entry.length};
    out->entries += entry.length;
    return TRIB_OK;
}

Status cast_nested(KernelCall *call) {
    const Vector *in = &call->args[0];
    KERNEL_ROWS(call, row, {
        uint32_t position = in->form == VECTOR_CONSTANT ? 0 : row;
        if (in->physical == PHYS_LIST) {
            TRY(list_cast(call, in, position, row));
            continue;
        }
        for (uint32_t c = 0; c < in->nchildren; c++) {
            TRY(elements_cast(call, &in->children[c], position, 1, &call->result->children[c], row,
                              &call->errors[row]));
        }
    });
    return TRIB_OK;
}
