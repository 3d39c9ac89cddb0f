/*
 * json_extract.c - json_extract, json_extract_scalar and json_size with their simple paths.
 *
 * The document is read as a stream up to the value that is wanted and no further, as in Trino: what stands behind
 * it is not looked at, and text that is not JSON before it gives NULL. A path that is constant is compiled once.
 */
#include "engine/functions/json_extract.h"

#include "engine/base/number.h"
#include "engine/functions/helpers.h"
#include "engine/functions/json_item.h"

/* ---------------------------------------------------------------- paths */

static bool step_letter(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c >= 0x80;
}

static bool path_letter(unsigned char c) {
    return step_letter(c) || c == ':' || c == '-' || c == '$';
}

static size_t run_of(Str path, size_t at, bool (*letter)(unsigned char)) {
    size_t end = at;
    while (end < path.len && letter((unsigned char)path.data[end])) end++;
    return end - at;
}

/* ["..."], with \" and \\ inside; the position is behind the opening quote. */
static Status quoted_step(Arena *arena, Str path, size_t *at, Str *out, bool *valid, Error *err) {
    char *name;
    size_t len = 0, i = *at;
    TRY_ALLOC(name, arena_alloc(arena, path.len - *at), err);
    *valid = false;
    for (; i < path.len && path.data[i] != '"'; i++) {
        if (path.data[i] == '\\') {
            i++;
            if (i == path.len || (path.data[i] != '"' && path.data[i] != '\\')) return TRIB_OK;
        }
        name[len++] = path.data[i];
    }
    if (path.len - i < 2 || path.data[i + 1] != ']') return TRIB_OK;
    *at = i + 2;
    *out = (Str){name, len};
    *valid = true;
    return TRIB_OK;
}

/* One step, from "." or "[" on. */
static Status step_read(Arena *arena, Str path, size_t *at, Str *out, bool *valid, Error *err) {
    bool dot = path.data[*at] == '.';
    *valid = false;
    if (!dot && path.data[*at] != '[') return TRIB_OK;
    (*at)++;
    if (!dot && *at < path.len && path.data[*at] == '"') {
        (*at)++;
        return quoted_step(arena, path, at, out, valid, err);
    }
    size_t len = run_of(path, *at, dot ? path_letter : step_letter);
    *out = (Str){path.data + *at, len};
    *at += len;
    if (len == 0) return TRIB_OK;
    if (!dot && (*at == path.len || path.data[(*at)++] != ']')) return TRIB_OK;
    *valid = true;
    return TRIB_OK;
}

Status json_steps_compile(Arena *arena, Str path, JsonSteps *out, bool *valid, Error *err) {
    size_t at = 1, most = 0;
    *out = (JsonSteps){0};
    *valid = path.len > 0 && path.data[0] == '$';
    for (size_t i = 0; i < path.len; i++) most += path.data[i] == '.' || path.data[i] == '[';
    TRY_ALLOC(out->steps, ARENA_ARRAY(arena, JsonStep, most), err);
    while (*valid && at < path.len) {
        JsonStep *step = &out->steps[out->count];
        TRY(step_read(arena, path, &at, &step->name, valid, err));
        if (!*valid) return TRIB_OK;
        if (int64_parse(step->name, &step->index) != NUMBER_OK) step->index = -1;
        out->count++;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- finding */

/* One step down from the container that `token` began; JSON_END if it is not there. */
static Status step_down(const JsonStep *step, JsonReader *reader, JsonToken *token, Error *err) {
    bool object = *token == JSON_OBJECT_BEGIN;
    if (!object && *token != JSON_ARRAY_BEGIN) {
        *token = JSON_END;
        return TRIB_OK;
    }
    for (int64_t i = 0;; i++) {
        bool found = !object && i == step->index;
        TRY(json_next(reader, token, err));
        if (*token == JSON_KEY) {
            found = str_equal(reader->text, step->name);
            TRY(json_next(reader, token, err));
        } else if (*token == JSON_OBJECT_END || *token == JSON_ARRAY_END) {
            *token = JSON_END;
            return TRIB_OK;
        }
        if (found) return TRIB_OK;
        Str raw;
        TRY(json_skip(reader, *token, &raw, err));
    }
}

Status json_steps_find(const JsonSteps *self, JsonReader *reader, JsonToken *token, Error *err) {
    Status status = json_next(reader, token, err);
    for (uint32_t i = 0; i < self->count && status == TRIB_OK && *token != JSON_END; i++)
        status = step_down(&self->steps[i], reader, token, err);
    if (status == TRIB_MEMORY) return status;
    if (status != TRIB_OK) *token = JSON_END;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- kernels */

static Status extract_prepare(Arena *arena, uint32_t nargs, const Value *const *constants,
                              void **state, Error *err) {
    if (constants[1] == NULL || constants[1]->is_null) return TRIB_OK;
    JsonSteps *steps;
    bool valid;
    char *path;
    TRY_ALLOC(steps, ARENA_NEW(arena, JsonSteps), err);
    TRY_ALLOC(path, arena_copy(arena, constants[1]->as.text.data, constants[1]->as.text.length),
              err);
    TRY(json_steps_compile(arena, (Str){path, constants[1]->as.text.length}, steps, &valid, err));
    if (valid) *state = steps;
    return TRIB_OK;
}

/* What an extraction does with the value it finds: sets the row's result. */
typedef Status (*Found)(KernelCall *call, uint32_t row, JsonReader *reader, JsonToken token,
                        Buf *text);

static Status extract_row(KernelCall *call, uint32_t row, const JsonSteps *steps, Found found,
                          Buf *text) {
    JsonReader reader;
    JsonToken token;
    json_init(&reader, call->arena, arg_text(call, 0, row), false, JSON_MAX_DEPTH);
    TRY(json_steps_find(steps, &reader, &token, call->err));
    if (token == JSON_END) return kernel_set_null(call, row);
    text->len = 0;
    text->failed = text->exceeded = false;
    Status status = found(call, row, &reader, token, text);
    if (status == TRIB_OK || status == TRIB_MEMORY || status == TRIB_CANCELLED) return status;
    error_clear(call->err); /* not JSON to the end of the value */
    return kernel_set_null(call, row);
}

static Status extract_rows(KernelCall *call, Found found) {
    const JsonSteps *prepared = call->state;
    JsonSteps own = {0};
    Status status = TRIB_OK;
    Buf text;
    buf_init(&text, NULL,
             call->session && call->session->max_value_size ? call->session->max_value_size
                                                            : UINT32_MAX);
    KERNEL_ROWS(call, row, {
        bool valid = true;
        if (prepared == NULL)
            status =
                json_steps_compile(call->arena, arg_text(call, 1, row), &own, &valid, call->err);
        if (status != TRIB_OK) break;
        if (!valid) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        status = extract_row(call, row, prepared ? prepared : &own, found, &text);
        if (status != TRIB_OK) break;
    });
    buf_clear(&text);
    return status;
}

static Status found_json(KernelCall *call, uint32_t row, JsonReader *reader, JsonToken token,
                         Buf *text) {
    JsonItem item;
    TRY(json_item_read(reader, token, &item, call->err));
    json_item_write(text, &item);
    return kernel_put_buf(call, row, text);
}

static Status found_scalar(KernelCall *call, uint32_t row, JsonReader *reader, JsonToken token,
                           Buf *text) {
    bool scalar =
        token == JSON_STRING || token == JSON_NUMBER || token == JSON_TRUE || token == JSON_FALSE;
    if (!scalar) return kernel_set_null(call, row);
    return kernel_put_text(call, row, reader->text.data, reader->text.len);
}

static Status found_size(KernelCall *call, uint32_t row, JsonReader *reader, JsonToken token,
                         Buf *text) {
    int64_t size = 0;
    bool container = token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN;
    while (container) {
        Str raw;
        TRY(json_next(reader, &token, call->err));
        if (token == JSON_KEY) TRY(json_next(reader, &token, call->err));
        if (token == JSON_OBJECT_END || token == JSON_ARRAY_END) break;
        TRY(json_skip(reader, token, &raw, call->err));
        size++;
    }
    ((int64_t *)call->result->data)[row] = size;
    return TRIB_OK;
}

static Status kernel_extract(KernelCall *call) {
    return extract_rows(call, found_json);
}

static Status kernel_extract_scalar(KernelCall *call) {
    return extract_rows(call, found_scalar);
}

static Status kernel_size(KernelCall *call) {
    return extract_rows(call, found_size);
}

#define EXTRACT(ID, RESULT, KERNEL, HELP)                                                  \
    {.id = TRIB_FN_##ID,                                                                   \
     .name = #ID,                                                                          \
     .signature = "json, varchar -> " RESULT,                                              \
     .may_raise = true,                                                                    \
     .kernel = KERNEL,                                                                     \
     .prepare = extract_prepare,                                                           \
     .family = "json",                                                                     \
     .help = HELP},                                                                        \
    {                                                                                      \
        .id = TRIB_FN_##ID, .name = #ID, .signature = "varchar, varchar -> " RESULT,       \
        .may_raise = true, .kernel = KERNEL, .prepare = extract_prepare, .family = "json", \
        .help = HELP                                                                       \
    }

static const Function rows[] = {
    EXTRACT(json_extract, "json", kernel_extract,
            "The value that a path like $.a[0][\"b c\"] names; NULL where there is none."),
    EXTRACT(json_extract_scalar, "varchar", kernel_extract_scalar,
            "The same as text; NULL unless it is text, a number or a truth value."),
    EXTRACT(json_size, "bigint", kernel_size,
            "The number of members of the object or array that a path names; 0 for others."),
};

FUNCTION_TABLE(functions_json_extract, rows);
