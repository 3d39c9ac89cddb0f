/*
 * aggregate_array.c - array_agg: all values of a group, NULLs included, as an array.
 *
 * The order is that in which rows arrive, unless the call has an ORDER BY (aggregate_ordered.c). A group must
 * fit into memory.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

typedef struct ArrayState {
    ValueList list;
    const Type *types;
} ArrayState;

static void array_init(void *state, const Type *args, Type result) {
    *(ArrayState *)state = (ArrayState){.types = args};
}

static Status array_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, uint8_t *const *states,
                           uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        ArrayState *s = STATE(ArrayState, states, i, offset);
        TRY(value_list_add_row(&s->list, 1, s->types, args, selection != NULL ? selection[i] : i,
                               arena, err));
    }
    return TRIB_OK;
}

static Status array_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                           Error *err) {
    ArrayState *s = state;
    return value_list_add(&s->list, 1, s->types, args, selection, count, arena, err);
}

static Status array_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                            Error *err) {
    ArrayState *s = into;
    return value_list_add_list(&s->list, &((const ArrayState *)from)->list, s->types, arena, err);
}

static Status array_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                           uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const ValueList *list = &STATE(ArrayState, states, i, offset)->list;
        if (list->count == 0) {
            TRY(result_null(result, i, arena, err));
        } else {
            TRY(result_array(result, i, &list->columns[0], NULL, list->count, arena, err));
        }
    }
    return TRIB_OK;
}

static uint64_t array_bytes(const Aggregate *self, const void *state) {
    return value_list_bytes(&((const ArrayState *)state)->list);
}

static void array_serialise(const Aggregate *self, const void *state, void *out) {
    value_list_write(&((const ArrayState *)state)->list, out);
}

static Status array_deserialise(const Aggregate *self, void *state, const void *data,
                                uint64_t bytes, Arena *arena, Error *err) {
    ArrayState *s = state;
    const uint8_t *at = data;
    return value_list_read(&s->list, 1, s->types, &at, arena, err);
}

static Status resolve_array(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_array(arena, args[0]);
    return result->id == TRIB_TYPE_ARRAY ? TRIB_OK : error_out_of_memory(err);
}

static const Aggregate rows[] = {
    {.id = TRIB_AGG_array_agg,
     .name = "array_agg",
     .signature = "E -> *",
     .state_size = sizeof(ArrayState),
     .order_matters = true,
     .init = array_init,
     .update = array_update,
     .update_single = array_single,
     .combine = array_combine,
     .finish = array_finish,
     .resolve = resolve_array,
     .family = "aggregate",
     .help = "An array of all values, NULLs included; NULL without rows.",
     .state_bytes = array_bytes,
     .serialise = array_serialise,
     .deserialise = array_deserialise},
};

const AggregateTable aggregates_array = {rows, COUNT_OF(rows)};
