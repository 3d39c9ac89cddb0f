/*
 * aggregate_map.c - histogram, map_agg, map_union, multimap_agg: maps of the values of a group.
 *
 * Keys stand in a table of distinct values, with a count (histogram) or a value (map_agg, map_union: the first
 * one that came) beside each. multimap_agg collects its rows and groups them at the end. NULL is never a
 * key: such rows do not count. A group must fit into memory.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_table.h"

typedef struct MapState {
    ValueTable keys;
    ValueList values; /* beside the keys */
    const Type *types;
    const TribTypeFields *fields; /* of the result: key, value */
} MapState;

static const Type count_type = {.id = TRIB_TYPE_BIGINT};

static void map_init(void *state, const Type *args, Type result) {
    *(MapState *)state = (MapState){.types = args, .fields = result.fields};
}

static const Type *key_type(const MapState *s) {
    return &s->fields->field[0].type;
}

static const Type *value_type(const Aggregate *self, const MapState *s) {
    return self->id == TRIB_AGG_histogram ? &count_type : &s->fields->field[1].type;
}

/* A key and what belongs to it: a count to be added, or a value for a new key. */
static Status map_put(const Aggregate *self, MapState *s, const Vector *keys, uint32_t key,
                      const Vector *values, uint32_t value, Arena *arena, Error *err) {
    uint32_t number;
    bool added;
    if (vector_is_null(keys, key)) return TRIB_OK;
    TRY(value_table_find(&s->keys, key_type(s), keys, key, &number, &added, arena, err));
    if (added)
        return value_list_add_row(&s->values, 1, value_type(self, s), values, value, arena, err);
    if (self->id == TRIB_AGG_histogram)
        ((int64_t *)s->values.columns[0].data)[number] +=
            *(const int64_t *)vector_at(values, value);
    return TRIB_OK;
}

/* All entries of the map at a row. */
static Status map_put_map(const Aggregate *self, MapState *s, const Vector *maps, uint32_t row,
                          Arena *arena, Error *err) {
    if (vector_is_null(maps, row)) return TRIB_OK;
    const Vector *v = vector_resolve(maps, &row);
    ListEntry entry = ((const ListEntry *)v->data)[row];
    for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++)
        TRY(map_put(self, s, &v->children[0], i, &v->children[1], i, arena, err));
    /* An empty map makes the result empty instead of NULL. */
    s->values.ncolumns = 1;
    return TRIB_OK;
}

static Status map_take(const Aggregate *self, MapState *s, const Vector *args, uint32_t row,
                       Arena *arena, Error *err) {
    int64_t one = 1;
    Vector counted = {.type = count_type,
                      .physical = PHYS_INT64,
                      .form = VECTOR_CONSTANT,
                      .capacity = 1,
                      .data = &one};
    switch (self->id) {
    case TRIB_AGG_histogram: return map_put(self, s, &args[0], row, &counted, 0, arena, err);
    case TRIB_AGG_map_union: return map_put_map(self, s, &args[0], row, arena, err);
    default: return map_put(self, s, &args[0], row, &args[1], row, arena, err);
    }
}

static Status map_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, uint8_t *const *states,
                         uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        TRY(map_take(self, STATE(MapState, states, i, offset), args,
                     selection != NULL ? selection[i] : i, arena, err));
    return TRIB_OK;
}

static Status map_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                          Error *err) {
    MapState *s = into;
    const MapState *other = from;
    for (uint32_t i = 0; i < other->keys.values.count; i++)
        TRY(map_put(self, s, &other->keys.values.columns[0], i, &other->values.columns[0], i, arena,
                    err));
    if (other->values.ncolumns > 0) s->values.ncolumns = 1;
    return TRIB_OK;
}

static Status map_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const MapState *s = STATE(MapState, states, i, offset);
        uint32_t n = s->keys.values.count;
        if (n > 0) {
            TRY(result_map(result, i, &s->keys.values.columns[0], &s->values.columns[0], n, arena,
                           err));
        } else if (self->id == TRIB_AGG_map_union && s->values.ncolumns > 0) {
            TRY(result_map(result, i, NULL, NULL, 0, arena, err));
        } else {
            TRY(result_null(result, i, arena, err));
        }
    }
    return TRIB_OK;
}

static uint64_t map_bytes(const Aggregate *self, const void *state) {
    const MapState *s = state;
    return 1 + value_list_bytes(&s->keys.values) + value_list_bytes(&s->values);
}

static void map_serialise(const Aggregate *self, const void *state, void *out) {
    const MapState *s = state;
    uint8_t *at = out;
    *at = s->values.ncolumns > 0;
    value_list_write(&s->values, value_list_write(&s->keys.values, at + 1));
}

static Status map_deserialise(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                              Arena *arena, Error *err) {
    MapState *s = state;
    const uint8_t *at = data;
    bool any = *at++ != 0;
    TRY(value_table_read(&s->keys, key_type(s), &at, arena, err));
    TRY(value_list_read(&s->values, 1, value_type(self, s), &at, arena, err));
    if (any) s->values.ncolumns = 1;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- multimap_agg */

typedef struct MultimapState {
    ValueList list; /* keys, values */
    const Type *types;
} MultimapState;

static void multimap_init(void *state, const Type *args, Type result) {
    *(MultimapState *)state = (MultimapState){.types = args};
}

static Status multimap_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, uint8_t *const *states,
                              uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        MultimapState *s = STATE(MultimapState, states, i, offset);
        uint32_t row = selection != NULL ? selection[i] : i;
        if (vector_is_null(&args[0], row)) continue;
        TRY(value_list_add_row(&s->list, 2, s->types, args, row, arena, err));
    }
    return TRIB_OK;
}

static Status multimap_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                               Error *err) {
    MultimapState *s = into;
    return value_list_add_list(&s->list, &((const MultimapState *)from)->list, s->types, arena,
                               err);
}

/* Numbers the keys, counts the values of each, and puts the rows into the order of their keys. */
static Status multimap_put(const MultimapState *s, Vector *result, uint32_t position, Arena *arena,
                           Error *err) {
    uint32_t count = s->list.count, nkeys, *numbers, *starts, *rows;
    ValueTable keys = {0};
    TRY_ALLOC(numbers, ARENA_ARRAY(arena, uint32_t, count), err);
    TRY_ALLOC(starts, ARENA_ARRAY(arena, uint32_t, count + (size_t)1), err);
    TRY_ALLOC(rows, ARENA_ARRAY(arena, uint32_t, count), err);
    for (uint32_t i = 0; i < count; i++) {
        bool added;
        TRY(value_table_find(&keys, &s->types[0], &s->list.columns[0], i, &numbers[i], &added,
                             arena, err));
        starts[numbers[i] + 1]++;
    }
    nkeys = keys.values.count;
    for (uint32_t k = 0; k < nkeys; k++) starts[k + 1] += starts[k];
    uint32_t *next = (uint32_t *)arena_copy(arena, starts, (nkeys + (size_t)1) * sizeof *starts);
    if (next == NULL) return error_out_of_memory(err);
    for (uint32_t i = 0; i < count; i++) rows[next[numbers[i]]++] = i;
    Vector arrays;
    TRY(vector_new(arena, result->children[1].type, nkeys, &arrays, err));
    for (uint32_t k = 0; k < nkeys; k++)
        TRY(result_array(&arrays, k, &s->list.columns[1], rows + starts[k],
                         starts[k + 1] - starts[k], arena, err));
    return result_map(result, position, &keys.values.columns[0], &arrays, nkeys, arena, err);
}

static Status multimap_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                              uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const MultimapState *s = STATE(MultimapState, states, i, offset);
        if (s->list.count == 0) {
            TRY(result_null(result, i, arena, err));
        } else {
            TRY(multimap_put(s, result, i, arena, err));
        }
    }
    return TRIB_OK;
}

static uint64_t multimap_bytes(const Aggregate *self, const void *state) {
    return value_list_bytes(&((const MultimapState *)state)->list);
}

static void multimap_serialise(const Aggregate *self, const void *state, void *out) {
    value_list_write(&((const MultimapState *)state)->list, out);
}

static Status multimap_deserialise(const Aggregate *self, void *state, const void *data,
                                   uint64_t bytes, Arena *arena, Error *err) {
    MultimapState *s = state;
    const uint8_t *at = data;
    return value_list_read(&s->list, 2, s->types, &at, arena, err);
}

/* ---------------------------------------------------------------- rows */

static Status map_type(Arena *arena, Type key, Type value, Type *result, Error *err) {
    *result = type_map(arena, key, value);
    return result->id == TRIB_TYPE_MAP ? TRIB_OK : error_out_of_memory(err);
}

static Status resolve_histogram(Arena *arena, uint32_t nargs, Type *args, Type *result,
                                Error *err) {
    return map_type(arena, args[0], count_type, result, err);
}

static Status resolve_map_agg(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    return map_type(arena, args[0], args[1], result, err);
}

static Status resolve_multimap(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    Type array = type_array(arena, args[1]);
    if (array.id != TRIB_TYPE_ARRAY) return error_out_of_memory(err);
    return map_type(arena, args[0], array, result, err);
}

static Status resolve_union(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    if (args[0].id == TRIB_TYPE_MAP) return TRIB_OK;
    return error_set(err, ERR_SYNTAX, "map_union needs a map, not %s",
                     type_id_name((TypeId)args[0].id));
}

#define MAP(ID, SIGNATURE, RESOLVE, HELP)                                                         \
    {                                                                                             \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(MapState), \
        .order_matters = true, .init = map_init, .update = map_update, .combine = map_combine,    \
        .finish = map_finish, .resolve = RESOLVE, .family = "aggregate", .help = HELP,            \
        .state_bytes = map_bytes, .serialise = map_serialise, .deserialise = map_deserialise      \
    }

static const Aggregate rows[] = {
    MAP(histogram, "T -> *", resolve_histogram, "How often each value occurs."),
    MAP(map_agg, "T, E -> *", resolve_map_agg,
        "A map of the keys and values; of equal keys the first one counts."),
    MAP(map_union, "T -> *", resolve_union,
        "The union of maps; the value of a key that stands in several comes from one of them."),
    {.id = TRIB_AGG_multimap_agg,
     .name = "multimap_agg",
     .signature = "T, E -> *",
     .state_size = sizeof(MultimapState),
     .order_matters = true,
     .init = multimap_init,
     .update = multimap_update,
     .combine = multimap_combine,
     .finish = multimap_finish,
     .resolve = resolve_multimap,
     .family = "aggregate",
     .help = "A map of the keys to arrays of their values.",
     .state_bytes = multimap_bytes,
     .serialise = multimap_serialise,
     .deserialise = multimap_deserialise},
};

const AggregateTable aggregates_map = {rows, COUNT_OF(rows)};
