/*
 * aggregate_extreme.c - min, max, any_value for every type.
 *
 * Three kinds of state. Fixed-width values stand in the state itself. Text keeps a view whose bytes,
 * beyond 12, lie in the arena and are overwritten by the next value that fits their room. Nested
 * values are a vector of one element in the arena. NaN is the result only where there is nothing
 * else. The last two kinds can be written out and read back for spilling.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

typedef struct FixedState {
    uint64_t value[2];
    uint32_t any;
    uint32_t physical; /* combine sees no vector that would tell */
} FixedState;

typedef struct TextState {
    StrView value;
    uint32_t any, room; /* bytes behind value.ptr */
} TextState;

typedef struct NestedState {
    Vector *value; /* one FLAT element; NULL = no value yet */
    Type type;
} NestedState;

/* ---------------------------------------------------------------- fixed width */

static void fixed_init(void *state, const Type *args, Type result) {
    *(FixedState *)state = (FixedState){.physical = (uint32_t)type_physical(result)};
}

static bool real_is_nan(const Vector *v, uint32_t position) {
    if (v->physical == PHYS_DOUBLE) {
        double x = ((const double *)v->data)[position];
        return x != x;
    }
    if (v->physical != PHYS_FLOAT) return false;
    float x = ((const float *)v->data)[position];
    return x != x;
}

/* Does the value at a position of a FLAT or CONSTANT vector replace the state's? */
static bool fixed_wins(const Aggregate *self, FixedState *s, const Vector *v, uint32_t position) {
    if (!s->any) return true;
    if (self->id == TRIB_AGG_any_value) return false;
    Int128 copy;
    memcpy(&copy, s->value, sizeof(copy));
    Vector mine = {.physical = v->physical, .form = VECTOR_FLAT, .data = &copy};
    if (real_is_nan(v, position)) return false;
    if (real_is_nan(&mine, 0)) return true;
    int order = vector_compare(v, position, &mine, 0);
    return self->id == TRIB_AGG_max ? order > 0 : order < 0;
}

static void fixed_take(const Aggregate *self, FixedState *s, const Vector *v, uint32_t row) {
    if (vector_is_null(v, row)) return;
    v = vector_resolve(v, &row);
    if (!fixed_wins(self, s, v, row)) return;
    size_t size = physical_size((PhysicalType)v->physical);
    memcpy(s->value, (const char *)v->data + row * size, size);
    s->any = 1;
}

/* Integers: a comparison and two moves, no call. */
#define FIXED_LOOP(T, STATE_OF)                               \
    do {                                                      \
        bool maximum = self->id == TRIB_AGG_max;              \
        AGGREGATE_VALUES(T, v, selection, count, i, x, {      \
            FixedState *s = (STATE_OF);                       \
            T mine;                                           \
            memcpy(&mine, s->value, sizeof(mine));            \
            if (!s->any || (maximum ? x > mine : x < mine)) { \
                memcpy(s->value, &x, sizeof(x));              \
                s->any = 1;                                   \
            }                                                 \
        });                                                   \
    } while (0)

static Status fixed_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, uint8_t *const *states,
                           uint32_t offset, Arena *arena, Error *err) {
    const Vector *v = &args[0];
    if (self->id != TRIB_AGG_any_value && v->physical == PHYS_INT32) {
        FIXED_LOOP(int32_t, STATE(FixedState, states, i, offset));
        return TRIB_OK;
    }
    if (self->id != TRIB_AGG_any_value && v->physical == PHYS_INT64) {
        FIXED_LOOP(int64_t, STATE(FixedState, states, i, offset));
        return TRIB_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        fixed_take(self, STATE(FixedState, states, i, offset), v,
                   selection != NULL ? selection[i] : i);
    }
    return TRIB_OK;
}

/* The extreme of a batch without a state in the loop, which then vectorises. */
#define EXTREME_LOOP(NAME, T)                                                                  \
    KERNEL_CLONES static bool extreme_##NAME(const Vector *v, const uint16_t *selection,       \
                                             uint32_t count, bool maximum, T *out) {           \
        bool any = false;                                                                      \
        T best = 0;                                                                            \
        if (v->form == VECTOR_FLAT && v->validity == NULL && selection == NULL && count > 0) { \
            const T *data = v->data;                                                           \
            best = data[0];                                                                    \
            if (maximum) {                                                                     \
                for (uint32_t i = 0; i < count; i++) best = data[i] > best ? data[i] : best;   \
            } else {                                                                           \
                for (uint32_t i = 0; i < count; i++) best = data[i] < best ? data[i] : best;   \
            }                                                                                  \
            any = true;                                                                        \
        } else {                                                                               \
            AGGREGATE_VALUES(T, v, selection, count, i, x, {                                   \
                if (!any || (maximum ? x > best : x < best)) best = x;                         \
                any = true;                                                                    \
            });                                                                                \
        }                                                                                      \
        *out = best;                                                                           \
        return any;                                                                            \
    }

EXTREME_LOOP(int32, int32_t)
EXTREME_LOOP(int64, int64_t)

static Status fixed_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                           Error *err) {
    const Vector *v = &args[0];
    FixedState *s = state;
    bool maximum = self->id == TRIB_AGG_max, integer = self->id != TRIB_AGG_any_value;
    int32_t best32;
    int64_t best64;
    Vector best = {.physical = v->physical, .form = VECTOR_CONSTANT};
    bool any;
    if (integer && v->physical == PHYS_INT32) {
        any = extreme_int32(v, selection, count, maximum, &best32);
        best.data = &best32;
    } else if (integer && v->physical == PHYS_INT64) {
        any = extreme_int64(v, selection, count, maximum, &best64);
        best.data = &best64;
    } else {
        for (uint32_t i = 0; i < count; i++) {
            fixed_take(self, s, v, selection != NULL ? selection[i] : i);
            if (s->any && self->id == TRIB_AGG_any_value) break;
        }
        return TRIB_OK;
    }
    if (any) fixed_take(self, s, &best, 0);
    return TRIB_OK;
}

static Status fixed_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                            Error *err) {
    FixedState *s = into;
    const FixedState *other = from;
    Int128 copy; /* states are aligned to 8 bytes, values up to 16 */
    if (!other->any) return TRIB_OK;
    memcpy(&copy, other->value, sizeof(copy));
    Vector one = {.physical = (uint8_t)other->physical, .form = VECTOR_CONSTANT, .data = &copy};
    fixed_take(self, s, &one, 0);
    return TRIB_OK;
}

static Status fixed_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                           uint32_t count, Vector *result, Arena *arena, Error *err) {
    size_t size = physical_size((PhysicalType)result->physical);
    for (uint32_t i = 0; i < count; i++) {
        const FixedState *s = STATE(FixedState, states, i, offset);
        memcpy((char *)result->data + i * size, s->value, size);
        if (!s->any) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- text */

static void text_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(TextState));
}

/* Takes the text over, into the room of the last one where it fits. */
static Status text_keep(TextState *s, const StrView *value, Arena *arena, Error *err) {
    s->any = 1;
    if (value->len <= STRVIEW_INLINE) {
        s->value = *value;
        s->room = 0; /* the room is lost with its pointer */
        return TRIB_OK;
    }
    char *room = s->value.len > STRVIEW_INLINE ? (char *)s->value.ptr : NULL;
    if (room == NULL || value->len > s->room) {
        uint32_t bytes = value->len + value->len / 2;
        TRY_ALLOC(room, arena_alloc(arena, bytes < value->len ? value->len : bytes), err);
        s->room = bytes < value->len ? value->len : bytes;
    }
    memcpy(room, value->ptr, value->len);
    s->value = strview_of(room, value->len);
    return TRIB_OK;
}

static Status text_take(const Aggregate *self, TextState *s, const Vector *v, uint32_t row,
                        Arena *arena, Error *err) {
    if (vector_is_null(v, row)) return TRIB_OK;
    if (s->any) {
        if (self->id == TRIB_AGG_any_value) return TRIB_OK;
        Vector mine = {.physical = PHYS_STRING, .form = VECTOR_FLAT, .data = &s->value};
        int order = vector_compare(v, row, &mine, 0);
        if (self->id == TRIB_AGG_max ? order <= 0 : order >= 0) return TRIB_OK;
    }
    return text_keep(s, vector_at(v, row), arena, err);
}

static Status text_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, uint8_t *const *states,
                          uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        TRY(text_take(self, STATE(TextState, states, i, offset), &args[0], row, arena, err));
    }
    return TRIB_OK;
}

static Status text_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                           Error *err) {
    TextState *other = (TextState *)from;
    Vector one = {.physical = PHYS_STRING, .form = VECTOR_CONSTANT, .data = &other->value};
    return other->any ? text_take(self, into, &one, 0, arena, err) : TRIB_OK;
}

static Status text_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                          uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const TextState *s = STATE(TextState, states, i, offset);
        if (!s->any) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        char *copy = NULL;
        if (s->value.len > STRVIEW_INLINE) {
            TRY_ALLOC(copy, arena_copy(arena, s->value.ptr, s->value.len), err);
        }
        ((StrView *)result->data)[i] = copy != NULL ? strview_of(copy, s->value.len) : s->value;
    }
    return TRIB_OK;
}

/* One byte says whether there is a value, the rest is the text. */
static uint64_t text_bytes(const Aggregate *self, const void *state) {
    const TextState *s = state;
    return s->any ? UINT64_C(1) + s->value.len : 1;
}

static void text_serialise(const Aggregate *self, const void *state, void *out) {
    const TextState *s = state;
    *(uint8_t *)out = (uint8_t)s->any;
    if (s->any) memcpy((uint8_t *)out + 1, strview_data(&s->value), s->value.len);
}

static Status text_deserialise(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                               Arena *arena, Error *err) {
    const char *text = (const char *)data + 1;
    if (bytes == 0 || *(const uint8_t *)data == 0) return TRIB_OK;
    StrView value = strview_of(text, bytes - 1);
    return text_keep(state, &value, arena, err);
}

/* ---------------------------------------------------------------- nested values */

static void nested_init(void *state, const Type *args, Type result) {
    *(NestedState *)state = (NestedState){.type = result};
}

static Status nested_keep(NestedState *s, const Vector *v, uint32_t row, Arena *arena, Error *err) {
    Vector *copy;
    Value value;
    TRY_ALLOC(copy, ARENA_NEW(arena, Vector), err);
    TRY(vector_new(arena, s->type, 1, copy, err));
    TRY(vector_value(arena, v, row, &value, err));
    TRY(vector_set(arena, copy, 0, &value, err));
    s->value = copy;
    return TRIB_OK;
}

static Status nested_take(const Aggregate *self, NestedState *s, const Vector *v, uint32_t row,
                          Arena *arena, Error *err) {
    if (vector_is_null(v, row)) return TRIB_OK;
    if (s->value != NULL) {
        if (self->id == TRIB_AGG_any_value) return TRIB_OK;
        int order = vector_compare(v, row, s->value, 0);
        if (self->id == TRIB_AGG_max ? order <= 0 : order >= 0) return TRIB_OK;
    }
    return nested_keep(s, v, row, arena, err);
}

static Status nested_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, uint8_t *const *states,
                            uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        TRY(nested_take(self, STATE(NestedState, states, i, offset), &args[0], row, arena, err));
    }
    return TRIB_OK;
}

static Status nested_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                             Error *err) {
    const NestedState *other = from;
    if (other->value == NULL) return TRIB_OK;
    return nested_take(self, into, other->value, 0, arena, err);
}

static Status nested_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                            uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const NestedState *s = STATE(NestedState, states, i, offset);
        if (s->value == NULL) {
            TRY(result_null(result, i, arena, err));
        } else {
            TRY(vector_append(arena, result, i, s->value, NULL, 1, err));
        }
    }
    return TRIB_OK;
}

static uint64_t nested_bytes(const Aggregate *self, const void *state) {
    const NestedState *s = state;
    return s->value != NULL ? position_write(s->value, 0, NULL) : 0;
}

static void nested_serialise(const Aggregate *self, const void *state, void *out) {
    const NestedState *s = state;
    if (s->value != NULL) position_write(s->value, 0, out);
}

static Status nested_deserialise(const Aggregate *self, void *state, const void *data,
                                 uint64_t bytes, Arena *arena, Error *err) {
    NestedState *s = state;
    const uint8_t *at = data;
    if (bytes == 0) return TRIB_OK;
    Vector *value;
    TRY_ALLOC(value, ARENA_NEW(arena, Vector), err);
    TRY(vector_new(arena, s->type, 1, value, err));
    TRY(position_read(value, 0, &at, arena, err));
    s->value = value;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status kind_mismatch(Error *err) {
    return error_set(err, ERR_SYNTAX, "another overload takes this type");
}

static Status resolve_fixed(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    bool fixed = type_physical(args[0]) != PHYS_STRING && !type_is_nested(args[0]);
    return fixed ? TRIB_OK : kind_mismatch(err);
}

static Status resolve_text(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    return type_physical(args[0]) == PHYS_STRING ? TRIB_OK : kind_mismatch(err);
}

static Status resolve_nested(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    return type_is_nested(args[0]) ? TRIB_OK : kind_mismatch(err);
}

#define EXTREME(ID, ALIASES, LETTER, HELP)                                                 \
    {.id = TRIB_AGG_##ID,                                                                  \
     .name = #ID,                                                                          \
     .aliases = ALIASES,                                                                   \
     .signature = LETTER " -> *",                                                          \
     .state_size = sizeof(FixedState),                                                     \
     .spillable_raw = true,                                                                \
     .init = fixed_init,                                                                   \
     .update = fixed_update,                                                               \
     .update_single = fixed_single,                                                        \
     .combine = fixed_combine,                                                             \
     .finish = fixed_finish,                                                               \
     .resolve = resolve_fixed,                                                             \
     .family = "aggregate",                                                                \
     .help = HELP},                                                                        \
        {.id = TRIB_AGG_##ID,                                                              \
         .name = #ID,                                                                      \
         .aliases = ALIASES,                                                               \
         .signature = LETTER " -> *",                                                      \
         .state_size = sizeof(TextState),                                                  \
         .init = text_init,                                                                \
         .update = text_update,                                                            \
         .combine = text_combine,                                                          \
         .finish = text_finish,                                                            \
         .resolve = resolve_text,                                                          \
         .family = "aggregate",                                                            \
         .help = HELP,                                                                     \
         .state_bytes = text_bytes,                                                        \
         .serialise = text_serialise,                                                      \
         .deserialise = text_deserialise},                                                 \
    {                                                                                      \
        .id = TRIB_AGG_##ID, .name = #ID, .aliases = ALIASES, .signature = LETTER " -> *", \
        .state_size = sizeof(NestedState), .init = nested_init, .update = nested_update,   \
        .combine = nested_combine, .finish = nested_finish, .resolve = resolve_nested,     \
        .family = "aggregate", .help = HELP, .state_bytes = nested_bytes,                  \
        .serialise = nested_serialise, .deserialise = nested_deserialise                   \
    }

static const Aggregate rows[] = {
    EXTREME(min, NULL, "O", "The smallest value; NULL without values."),
    EXTREME(max, NULL, "O", "The largest value; NULL without values."),
    EXTREME(any_value, "arbitrary", "E", "Some value that is not NULL; NULL without one."),
};

const AggregateTable aggregates_extreme = {rows, COUNT_OF(rows)};
