/*
 * registry.c - the engine's registries as the driver asks for them, and values as text.
 */
#include "engine/runtime/session.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define TYPE_NAME_MAX 65536

bool engine_has_function(TribFunctionId id) {
    return function_has_kernel(id);
}

bool engine_can_cast(TribTypeId from, TribTypeId to) {
    return type_castable((Type){.id = (uint8_t)from, .precision = 10},
                         (Type){.id = (uint8_t)to, .precision = 10});
}

const char *engine_reserved_word(uint32_t index) {
    return sql_reserved_word(index);
}

size_t engine_type_name(TribType type, char *out, size_t size) {
    Buf text;
    buf_init(&text, NULL, TYPE_NAME_MAX);
    type_print(&text, type);
    size_t len = text.failed ? 0 : text.len;
    if (size > 0) {
        size_t n = utf8_cut(text.data ? text.data : "", len, size - 1);
        if (n) memcpy(out, text.data, n);
        out[n] = '\0';
    }
    buf_clear(&text);
    return len;
}

const char *engine_version(void) {
    return PACKAGE_VERSION;
}

/* The vector behind a view: the same fields, so that one code path prints both. */
static Status view_vector(Arena *arena, const ColumnView *view, Vector *out, Error *err) {
    Vector flat = {.type = view->type, .physical = (uint8_t)view->physical, .form = VECTOR_FLAT};
    union {
        const void *constant;
        void *data;
    } data = {.constant = view->data};
    union {
        const uint64_t *constant;
        uint64_t *bits;
    } validity = {.constant = view->validity};
    flat.data = data.data;
    flat.validity = validity.bits;
    flat.nchildren = view->nchildren;
    if (view->nchildren) {
        TRY_ALLOC(flat.children, ARENA_ARRAY(arena, Vector, view->nchildren), err);
        for (uint32_t i = 0; i < view->nchildren; i++)
            TRY(view_vector(arena, &view->children[i], &flat.children[i], err));
    }
    *out = flat;
    return TRIB_OK;
}

/* The position of a row's value in data, or UINT32_MAX for NULL. */
static uint32_t view_position(const ColumnView *column, uint32_t position) {
    if (column->form == COLUMN_CONSTANT) position = 0;
    if (column->form == COLUMN_DICTIONARY) {
        if (column->row_validity && !bitmap_get(column->row_validity, position)) return UINT32_MAX;
        position = column->indices[position];
    }
    if (column->validity && !bitmap_get(column->validity, position)) return UINT32_MAX;
    return position;
}

bool engine_split_script(Str script, size_t *at, Str *statement) {
    return sql_split(script, at, statement);
}

bool column_value_null(const ColumnView *column, uint32_t position) {
    return view_position(column, position) == UINT32_MAX;
}

static Status value_append(Arena *arena, const ColumnView *column, uint32_t at, Buf *out,
                           Error *err) {
    Vector vector;
    Value value;
    TRY(view_vector(arena, column, &vector, err));
    TRY(vector_value(arena, &vector, at, &value, err));
    value_text(out, &value);
    return buf_status(out, err);
}

Status column_value(const ColumnView *column, uint32_t position, Arena *arena, TribValue *out,
                    Error *err) {
    uint32_t at = view_position(column, position);
    Vector vector;
    *out = (TribValue){.type = column->type, .is_null = at == UINT32_MAX};
    if (out->is_null) return TRIB_OK;
    TRY(view_vector(arena, column, &vector, err));
    return vector_value(arena, &vector, at, out, err);
}

Status column_value_text(const ColumnView *column, uint32_t position, Buf *out, Error *err) {
    uint32_t at = view_position(column, position);
    if (at == UINT32_MAX) return TRIB_OK;
    if (column->physical == PHYS_STRING) {
        buf_str(out, strview_str((const StrView *)column->data + at));
        return buf_status(out, err);
    }
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = value_append(arena, column, at, out, err);
    arena_free(arena);
    return status;
}
