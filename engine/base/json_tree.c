/*
 * json_tree.c - JSON documents held whole, for the configuration.
 *
 * Built from the streaming reader with a stack of open containers on the heap of the arena, without
 * recursion. Objects look for duplicate keys through a hash map, so that a hostile file costs
 * linear time. Trees live on the caller's arena and are read-only once built.
 */
#include "engine/base/json.h"
#include "engine/base/map.h"

#define TREE_DEPTH_MAX 256

typedef struct OpenContainer {
    JsonValue *container, *last;
    Map keys; /* of an object: key -> the member */
} OpenContainer;

typedef struct TreeBuilder {
    JsonReader reader;
    Arena *arena;
    OpenContainer *stack;
    uint32_t depth, room;
    Str key; /* of the member to come */
    uint32_t key_line, key_column;
} TreeBuilder;

static Status builder_push(TreeBuilder *self, JsonValue *container, Error *err) {
    if (self->depth == self->room) {
        uint32_t room = self->room ? self->room * 2 : 8;
        OpenContainer *stack;
        TRY_ALLOC(stack,
                  arena_resize(self->arena, self->stack, self->room * sizeof *stack,
                               room * sizeof *stack),
                  err);
        self->stack = stack;
        self->room = room;
    }
    OpenContainer *top = &self->stack[self->depth++];
    *top = (OpenContainer){.container = container};
    map_init(&top->keys, self->arena, false);
    return TRIB_OK;
}

/* Hangs a value into the innermost container, or makes it the root. */
static Status builder_add(TreeBuilder *self, JsonValue *value, JsonValue **root, Error *err) {
    if (self->depth == 0) {
        *root = value;
        return TRIB_OK;
    }
    OpenContainer *top = &self->stack[self->depth - 1];
    if (top->container->kind == JSON_OBJECT_BEGIN) {
        value->key = self->key;
        value->key_line = self->key_line;
        value->key_column = self->key_column;
        if (!map_put(&top->keys, value->key, value)) return error_out_of_memory(err);
    }
    if (top->last)
        top->last->next = value;
    else
        top->container->first = value;
    top->last = value;
    return TRIB_OK;
}

static Status builder_key(TreeBuilder *self, Error *err) {
    const JsonReader *reader = &self->reader;
    const JsonValue *before = map_get(&self->stack[self->depth - 1].keys, reader->text);
    if (before) {
        (void)error_set_at(err, reader->comments ? ERR_CONFIGURATION : ERR_INVALID_CAST,
                           reader->token_line, reader->token_column,
                           "invalid JSON: the key \"" STR_FORMAT "\" stands twice",
                           STR_ARGS(reader->text));
        return error_detail(err, "first at line %u, column %u, again at line %u, column %u",
                            before->key_line, before->key_column, reader->token_line,
                            reader->token_column);
    }
    self->key = reader->text;
    self->key_line = reader->token_line;
    self->key_column = reader->token_column;
    return TRIB_OK;
}

Status json_parse(Arena *arena, Str text, bool comments, JsonValue **out, Error *err) {
    TreeBuilder builder = {.arena = arena};
    JsonReader *reader = &builder.reader;
    json_init(reader, arena, text, comments, TREE_DEPTH_MAX);
    for (;;) {
        JsonToken token;
        JsonValue *value;
        TRY(json_next(reader, &token, err));
        switch (token) {
        case JSON_END: return TRIB_OK;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END: builder.depth--; continue;
        case JSON_KEY: TRY(builder_key(&builder, err)); continue;
        default: break;
        }
        TRY_ALLOC(value, ARENA_NEW(arena, JsonValue), err);
        value->kind = token;
        value->text = reader->text;
        value->line = reader->token_line;
        value->column = reader->token_column;
        TRY(builder_add(&builder, value, out, err));
        if (token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN)
            TRY(builder_push(&builder, value, err));
    }
}

const JsonValue *json_member(const JsonValue *object, Str key) {
    if (!object || object->kind != JSON_OBJECT_BEGIN) return NULL;
    for (const JsonValue *member = object->first; member; member = member->next) {
        if (str_equal(member->key, key)) return member;
    }
    return NULL;
}
