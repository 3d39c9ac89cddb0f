/*
 * aggregate_count.c - count, count_if, bool_and, bool_or.
 *
 * States are 8 bytes without pointers: a count, or a truth value with a mark that there was one.
 */
#include "engine/functions/aggregate.h"

/* ---------------------------------------------------------------- count, count_if */

static void count_init(void *state, const Type *args, Type result) {
    *(int64_t *)state = 0;
}

/* Rows of the selection that are not NULL. */
static int64_t valid_rows(const Vector *v, const uint16_t *selection, uint32_t count) {
    int64_t n = 0;
    if (v->form == VECTOR_CONSTANT) return vector_is_null(v, 0) ? 0 : count;
    if (v->form == VECTOR_FLAT && v->validity == NULL) return count;
    if (v->form == VECTOR_FLAT && selection == NULL)
        return (int64_t)bitmap_count(v->validity, count);
    for (uint32_t i = 0; i < count; i++) {
        n += !vector_is_null(v, selection != NULL ? selection[i] : i);
    }
    return n;
}

static Status count_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, uint8_t *const *states,
                           uint32_t offset, Arena *arena, Error *err) {
    if (nargs == 0 || (args[0].form == VECTOR_FLAT && args[0].validity == NULL)) {
        for (uint32_t i = 0; i < count; i++) ++*STATE(int64_t, states, i, offset);
        return TRIB_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = selection != NULL ? selection[i] : i;
        *STATE(int64_t, states, i, offset) += !vector_is_null(&args[0], row);
    }
    return TRIB_OK;
}

static Status count_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                           Error *err) {
    *(int64_t *)state += nargs == 0 ? count : valid_rows(&args[0], selection, count);
    return TRIB_OK;
}

static Status count_if_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, uint8_t *const *states,
                              uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_VALUES(uint8_t, &args[0], selection, count, i, x,
                     *STATE(int64_t, states, i, offset) += x != 0;);
    return TRIB_OK;
}

static Status count_if_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                              Error *err) {
    int64_t n = 0;
    AGGREGATE_VALUES(uint8_t, &args[0], selection, count, i, x, n += x != 0;);
    *(int64_t *)state += n;
    return TRIB_OK;
}

/* Takes away what SINGLE adds: both kinds of count. */
static Status count_remove(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, void *state, Error *err) {
    int64_t gone = 0;
    TRY(self->update_single(self, nargs, args, selection, count, &gone, NULL, err));
    *(int64_t *)state -= gone;
    return TRIB_OK;
}

static Status count_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                            Error *err) {
    *(int64_t *)into += *(const int64_t *)from;
    return TRIB_OK;
}

static Status count_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                           uint32_t count, Vector *result, Arena *arena, Error *err) {
    int64_t *out = result->data;
    for (uint32_t i = 0; i < count; i++) out[i] = *STATE(int64_t, states, i, offset);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- bool_and, bool_or */

typedef struct BoolState {
    uint8_t any; /* there was a value */
    uint8_t value;
    uint8_t unused[6];
} BoolState;

static void bool_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(BoolState));
}

static void bool_take(const Aggregate *self, BoolState *s, uint8_t x) {
    x = x != 0;
    if (!s->any) {
        s->value = x;
    } else {
        s->value = self->id == TRIB_AGG_bool_and ? s->value & x : s->value | x;
    }
    s->any = 1;
}

static Status bool_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, uint8_t *const *states,
                          uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_VALUES(uint8_t, &args[0], selection, count, i, x,
                     bool_take(self, STATE(BoolState, states, i, offset), x););
    return TRIB_OK;
}

static Status bool_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                          Error *err) {
    AGGREGATE_VALUES(uint8_t, &args[0], selection, count, i, x, bool_take(self, state, x););
    return TRIB_OK;
}

static Status bool_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                           Error *err) {
    const BoolState *other = from;
    if (other->any) bool_take(self, into, other->value);
    return TRIB_OK;
}

static Status bool_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                          uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const BoolState *s = STATE(BoolState, states, i, offset);
        ((uint8_t *)result->data)[i] = s->value;
        if (!s->any) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define COUNT_ROW(ID, SIGNATURE, UPDATE, SINGLE, HELP)                                           \
    {                                                                                            \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(int64_t), \
        .spillable_raw = true, .zero_of_none = true, .init = count_init, .update = UPDATE,       \
        .update_single = SINGLE, .combine = count_combine, .finish = count_finish,               \
        .remove_single = count_remove, .family = "aggregate", .help = HELP                       \
    }
#define BOOL_ROW(ID, ALIASES, HELP)                                                              \
    {                                                                                            \
        .id = TRIB_AGG_##ID, .name = #ID, .aliases = ALIASES, .signature = "boolean -> boolean", \
        .state_size = sizeof(BoolState), .spillable_raw = true, .init = bool_init,               \
        .update = bool_update, .update_single = bool_single, .combine = bool_combine,            \
        .finish = bool_finish, .family = "aggregate", .help = HELP                               \
    }

static const Aggregate rows[] = {
    COUNT_ROW(count, "-> bigint", count_update, count_single, "Number of rows."),
    COUNT_ROW(count, "E -> bigint", count_update, count_single,
              "Number of values that are not NULL."),
    COUNT_ROW(count_if, "boolean -> bigint", count_if_update, count_if_single,
              "Number of values that are true."),
    BOOL_ROW(bool_and, "every", "Whether all values are true."),
    BOOL_ROW(bool_or, NULL, "Whether some value is true."),
};

const AggregateTable aggregates_count = {rows, COUNT_OF(rows)};
