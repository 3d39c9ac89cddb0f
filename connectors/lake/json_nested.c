/*
 * json_nested.c - writes JSON arrays and objects into nested columns of the batch builder.
 *
 * The texts are whole and valid: the reader stepped over them before. Each level finds the texts of its
 * values with a cursor and hands them down, so that the members of a row can be written in the order of
 * its fields, the last of a name winning. The recursion is as deep as the type, which is bounded where it
 * is declared, never as deep as the data. Values of scalar types go through the kernels of their columns.
 *
 * Memory: the batch's; decoded strings and lists of members on arenas that the next column's rows reset.
 * One thread.
 */
#include "connectors/lake/json_nested.h"

#include "engine/base/map.h"

enum { PATH_BYTES = 256 };

/* The way down to a value. */
typedef struct Step {
    const struct Step *up;
    Str name; /* data == NULL: an element */
    uint32_t index;
} Step;

/* A value's text. */
typedef struct Found {
    CursorKind kind;
    bool escaped;
    Str raw;
} Found;

struct JsonNested {
    const FormatParams *params;
    Arena *arena, *scratch; /* of all; of a row of the batch */
    Arena *keys, *text;     /* a map's keys while they are compared; one decoded string */
    Found **values; /* per node of the builder: the members of the row at hand; NULL = not yet */
    uint8_t *stack;
    NestedFault fault;
    void *context;
    uint32_t column, index; /* what is being converted */
    Error *err;
};

/* ---------------------------------------------------------------- weights */

static void weight_add(JsonWeight *weight, TribType type, bool element, bool object) {
    BatchLayout layout;
    uint32_t width;
    if (!batch_layout(type, &layout, &width)) return;
    uint64_t bytes = width ? width : 1;
    if (object) weight->per_object += bytes;
    if (element) weight->per_element += bytes;
    if (layout < BATCH_LIST) return;
    bool row = layout == BATCH_ROW, below = object || element;
    weight->deep |= !row;
    for (uint32_t i = 0; i < type.fields->count; i++)
        weight_add(weight, type.fields->field[i].type, !row, row && below);
}

JsonWeight json_weight(TribType type) {
    JsonWeight weight = {0};
    if (column_type_nested(type)) weight_add(&weight, type, false, false);
    return weight;
}

uint64_t json_weight_of(const JsonWeight *self, Str text) {
    uint64_t elements = 0, objects = 0;
    for (size_t i = 0; i < text.len; i++) {
        elements += text.data[i] == ',';
        elements += text.data[i] == '[';
        objects += text.data[i] == '{';
    }
    return (elements + objects) * self->per_element + objects * self->per_object;
}

/* ---------------------------------------------------------------- faults */

static void path_write(Buf *out, const Step *step) {
    if (!step) return;
    path_write(out, step->up);
    if (!step->name.data)
        buf_printf(out, "[%u]", step->index);
    else
        buf_printf(out, "." STR_FORMAT, STR_ARGS(step->name));
}

/* A value that does not fit: NULL, or the query's error. */
static Status misfit(JsonNested *self, BatchColumn *column, uint32_t row, const Step *step,
                     Str found, const char *why) {
    const FormatParams *params = self->params;
    bool null = params->shape->on_mismatch == MISMATCH_NULL;
    Error first;
    Buf path;
    if (null) batch_null_deep(column, row);
    if (null && params->mismatches->count++ > 0) return TRIB_OK;
    buf_init(&path, self->scratch, 64 * 1024);
    path_write(&path, step);
    char text[PATH_BYTES];
    format_value_text(buf_view(&path), text, sizeof text);
    Status status = self->fault(self->context, self->column, self->index, text, found, why,
                                null ? &first : self->err);
    if (!null) return status;
    text_format(params->mismatches->first, sizeof params->mismatches->first, "%s", first.message);
    return TRIB_OK;
}

static const char *wanted(TribType type) {
    return type.id == TRIB_TYPE_ARRAY ? "no array" : "no object";
}

/* ---------------------------------------------------------------- stepping through valid text */

static JsonCursor cursor_on(JsonNested *self, Str text) {
    return (JsonCursor){.at = text.data,
                        .end = text.data + text.len,
                        .max_depth = self->params->shape->json_depth,
                        .stack = self->stack,
                        .arena = self->scratch};
}

static Status cursor_status(JsonNested *self, CursorResult result) {
    if (result == CURSOR_OK) return TRIB_OK;
    if (result == CURSOR_NO_MEMORY) return error_out_of_memory(self->err);
    return error_set(self->err, ERR_GENERAL, "a checked JSON text is not valid");
}

/* Behind an opening bracket or a value: is there another? */
static bool more(JsonCursor *cursor) {
    cursor_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == ',') {
        cursor->at++;
        cursor_blanks(cursor);
    }
    return cursor->at < cursor->end && *cursor->at != ']' && *cursor->at != '}';
}

static Status value_find(JsonNested *self, JsonCursor *cursor, Found *out) {
    return cursor_status(self, cursor_value(cursor, &out->kind, &out->raw, &out->escaped));
}

/* A key, decoded, and the value behind it. */
static Status member_find(JsonNested *self, JsonCursor *cursor, Str *key, Found *out) {
    bool escaped;
    TRY(cursor_status(self, cursor_string(cursor, key, &escaped)));
    if (escaped) TRY(cursor_status(self, cursor_decode(cursor, *key, key)));
    cursor_blanks(cursor);
    cursor->at++; /* the colon */
    cursor_blanks(cursor);
    return value_find(self, cursor, out);
}

/* ---------------------------------------------------------------- values */

static Status value_put(JsonNested *self, BatchColumn *column, uint32_t row, const Found *found,
                        const Step *step);

static Status field_put(JsonNested *self, BatchColumn *column, uint32_t row, const Field *field,
                        const Step *step) {
    Convert convert = {.builder = self->params->builder,
                       .column = column,
                       .row = row,
                       .fields = field,
                       .count = 1,
                       .err = self->err};
    ConvertResult result = convert_kernel(column->type)(&convert);
    if (result == CONVERT_DONE) return TRIB_OK;
    if (result == CONVERT_FAILED) return self->err->status;
    return misfit(self, column, row, step, (Str){field->data, field->len}, convert.why);
}

static Status scalar_put(JsonNested *self, BatchColumn *column, uint32_t row, const Found *found,
                         const Step *step) {
    JsonCursor cursor = cursor_on(self, found->raw);
    bool json = column->type.id == TRIB_TYPE_JSON;
    Field field;
    cursor.arena = self->text;
    if (found->escaped) arena_reset(self->text);
    TRY(cursor_status(
        self, cursor_field(&cursor, found->kind, found->raw, found->escaped, json, &field)));
    if (json && !(field.flags & FIELD_NULL))
        return batch_text(self->params->builder, column, row, field.data, field.len, self->err);
    return field_put(self, column, row, &field, step);
}

static Status array_put(JsonNested *self, BatchColumn *column, uint32_t row, Str text,
                        const Step *step) {
    BatchColumn *child = &column->children[0];
    JsonCursor cursor = cursor_on(self, text);
    Step below = {.up = step};
    cursor.at++;
    for (; more(&cursor); below.index++) {
        Found element;
        uint32_t at;
        TRY(value_find(self, &cursor, &element));
        TRY(batch_child_add(self->params->builder, child, &at, self->err));
        TRY(value_put(self, child, at, &element, &below));
    }
    batch_list_end(column, row);
    return TRIB_OK;
}

/* Does a key stand there twice? Then *twice names it. */
static Status keys_check(JsonNested *self, Str text, Str *twice) {
    static char there;
    JsonCursor cursor = cursor_on(self, text);
    Map seen;
    cursor.arena = self->keys;
    arena_reset(self->keys);
    map_init(&seen, self->keys, false);
    twice->data = NULL;
    cursor.at++;
    while (more(&cursor)) {
        Str key;
        Found ignored;
        TRY(member_find(self, &cursor, &key, &ignored));
        if (map_get(&seen, key)) {
            *twice = key;
            return TRIB_OK;
        }
        if (!map_put(&seen, key, &there)) return error_out_of_memory(self->err);
    }
    return TRIB_OK;
}

static Status map_put_value(JsonNested *self, BatchColumn *column, uint32_t row, Str text,
                            const Step *step) {
    BatchColumn *entries = &column->children[0];
    JsonCursor cursor = cursor_on(self, text);
    Str twice;
    TRY(keys_check(self, text, &twice));
    if (twice.data) return misfit(self, column, row, step, twice, "a key that stands there twice");
    cursor.at++;
    while (more(&cursor)) {
        Found value;
        Step below = {.up = step};
        uint32_t at;
        TRY(member_find(self, &cursor, &below.name, &value));
        Field key = {below.name.data, (uint32_t)below.name.len, FIELD_QUOTED};
        uint32_t limit = entries->children[0].type.length;
        if (limit && utf8_length(key.data, key.len) > limit) {
            /* A key cannot be NULL: the entry goes, or the query. */
            if (self->params->shape->on_mismatch != MISMATCH_NULL)
                return misfit(self, column, row, step, below.name, "longer than the map's keys");
            self->params->mismatches->count++;
            continue;
        }
        TRY(batch_child_add(self->params->builder, entries, &at, self->err));
        TRY(field_put(self, &entries->children[0], at, &key, &below));
        TRY(value_put(self, &entries->children[1], at, &value, &below));
    }
    batch_list_end(column, row);
    return TRIB_OK;
}

/* The field of that name: most often the one behind the last. */
static uint32_t field_find(const TribTypeFields *fields, Str name, uint32_t guess) {
    if (guess < fields->count && str_equal(str_from(fields->field[guess].name), name)) return guess;
    for (uint32_t i = 0; i < fields->count; i++) {
        if (str_equal(str_from(fields->field[i].name), name)) return i;
    }
    for (uint32_t i = 0; i < fields->count; i++) {
        if (str_equal_fold(str_from(fields->field[i].name), name)) return i;
    }
    return UINT32_MAX;
}

static Status row_put(JsonNested *self, BatchColumn *column, uint32_t row, Str text,
                      const Step *step) {
    const TribTypeFields *fields = column->type.fields;
    JsonCursor cursor = cursor_on(self, text);
    Found *values, value;
    uint32_t next = 0;
    /* Below a row its own node does not come again: one list for each node will do. */
    Found **list = &self->values[column - self->params->builder->columns];
    if (!*list) TRY_ALLOC(*list, ARENA_ARRAY(self->arena, Found, fields->count), self->err);
    values = *list;
    memset(values, 0, fields->count * sizeof *values);
    cursor.at++;
    while (more(&cursor)) {
        Str key;
        TRY(member_find(self, &cursor, &key, &value));
        uint32_t field = field_find(fields, key, next);
        if (field == UINT32_MAX) continue;
        values[field] = value;
        next = field + 1;
    }
    for (uint32_t i = 0; i < fields->count; i++) {
        Step below = {.up = step, .name = str_from(fields->field[i].name)};
        if (values[i].raw.data)
            TRY(value_put(self, &column->children[i], row, &values[i], &below));
        else
            batch_null_deep(&column->children[i], row);
    }
    return TRIB_OK;
}

static Status value_put(JsonNested *self, BatchColumn *column, uint32_t row, const Found *found,
                        const Step *step) {
    if (found->kind == CURSOR_NULL) {
        batch_null_deep(column, row);
        return TRIB_OK;
    }
    if (!column_type_nested(column->type)) return scalar_put(self, column, row, found, step);
    char open = column->type.id == TRIB_TYPE_ARRAY ? '[' : '{';
    if (found->raw.data[0] != open)
        return misfit(self, column, row, step, found->raw, wanted(column->type));
    if (column->type.id == TRIB_TYPE_ARRAY) return array_put(self, column, row, found->raw, step);
    if (column->type.id == TRIB_TYPE_MAP) return map_put_value(self, column, row, found->raw, step);
    return row_put(self, column, row, found->raw, step);
}

/* ---------------------------------------------------------------- columns */

Status json_nested_convert(JsonNested *self, uint32_t column, const Field *fields, uint32_t count,
                           NestedFault fault, void *context, Error *err) {
    BatchBuilder *builder = self->params->builder;
    BatchColumn *target = &builder->columns[self->params->columns[column].output];
    self->fault = fault;
    self->context = context;
    self->column = column;
    self->err = err;
    for (uint32_t i = 0; i < count; i++) {
        Found found = {.raw = {fields[i].data, fields[i].len}};
        arena_reset(self->scratch);
        self->index = i;
        if (fields[i].flags & FIELD_NULL) found.kind = CURSOR_NULL;
        TRY(value_put(self, target, builder->rows + i, &found, NULL));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- life */

Status json_nested_new(const FormatParams *params, JsonNested **out, Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    JsonNested *self = ARENA_NEW(arena, JsonNested);
    if (self) {
        *self = (JsonNested){.params = params,
                             .arena = arena,
                             .scratch = arena_new(NULL),
                             .keys = arena_new(NULL),
                             .text = arena_new(NULL),
                             .values = ARENA_ARRAY(arena, Found *, params->builder->nnodes),
                             .stack = arena_alloc(arena, params->shape->json_depth)};
        if (self->scratch && self->keys && self->text && self->values && self->stack) {
            *out = self;
            return TRIB_OK;
        }
        json_nested_free(self);
        return error_out_of_memory(err);
    }
    arena_free(arena);
    return error_out_of_memory(err);
}

void json_nested_free(JsonNested *self) {
    if (!self) return;
    arena_free(self->keys);
    arena_free(self->text);
    arena_free(self->scratch);
    arena_free(self->arena);
}
