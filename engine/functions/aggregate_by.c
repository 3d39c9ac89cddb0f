/*
 * aggregate_by.c - min_by(x, y), max_by(x, y), and the n best: min(y, n), max(y, n), min_by(x, y, n),
 * max_by(x, y, n).
 *
 * One best row is two cells. The n best are kept in a list of up to 2n rows: when it is full it is sorted and
 * cut to n, and from then on a row that is not better than the worst of them is not even looked at again.
 * NULL as the value compared by does not count; NaN is the worst.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

#define BEST_MOST 10000 /* the largest n */
#define BEST_ROOM 64    /* rows that are collected before the first cut */

static bool wants_largest(const Aggregate *self) {
    return self->id == TRIB_AGG_max || self->id == TRIB_AGG_max_by;
}

/* ---------------------------------------------------------------- one */

typedef struct ByState {
    Cell value, by;
} ByState;

static void by_init(void *state, const Type *args, Type result) {
    ByState *s = state;
    cell_init(&s->value, &args[0]);
    cell_init(&s->by, &args[1]);
}

static Status by_take(const Aggregate *self, ByState *s, const Vector *args, uint32_t row,
                      Arena *arena, Error *err) {
    if (vector_is_null(&args[1], row)) return TRIB_OK;
    if (s->by.any) {
        Vector mine;
        uint32_t position = row;
        const Vector *by = vector_resolve(&args[1], &position);
        cell_view(&s->by, &mine);
        if (!value_better(by, position, &mine, 0, wants_largest(self))) return TRIB_OK;
    }
    TRY(cell_set(&s->by, &args[1], row, arena, err));
    return cell_set(&s->value, &args[0], row, arena, err);
}

static Status by_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                        const uint16_t *selection, uint32_t count, uint8_t *const *states,
                        uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        TRY(by_take(self, STATE(ByState, states, i, offset), args,
                    selection != NULL ? selection[i] : i, arena, err));
    return TRIB_OK;
}

/* The best row of the batch is found first, and copied once. */
static Status by_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                        const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                        Error *err) {
    bool any = false, largest = wants_largest(self);
    uint32_t best = 0, best_row = 0;
    const Vector *best_in = NULL;
    FOR_SELECTED(selection, count, row, {
        if (vector_is_null(&args[1], row)) continue;
        uint32_t position = row;
        const Vector *by = vector_resolve(&args[1], &position);
        if (any && !value_better(by, position, best_in, best, largest)) continue;
        any = true;
        best_in = by;
        best = position;
        best_row = row;
    });
    return any ? by_take(self, state, args, best_row, arena, err) : TRIB_OK;
}

static Status by_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                         Error *err) {
    const ByState *other = from;
    if (!other->by.any) return TRIB_OK;
    Vector args[2];
    cell_view(&other->value, &args[0]);
    cell_view(&other->by, &args[1]);
    return by_take(self, into, args, 0, arena, err);
}

static Status by_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                        uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        Vector value;
        cell_view(&STATE(ByState, states, i, offset)->value, &value);
        TRY(vector_append(arena, result, i, &value, NULL, 1, err));
    }
    return TRIB_OK;
}

static uint64_t by_bytes(const Aggregate *self, const void *state) {
    const ByState *s = state;
    return cell_bytes(&s->value) + cell_bytes(&s->by);
}

static void by_serialise(const Aggregate *self, const void *state, void *out) {
    const ByState *s = state;
    cell_write(&s->by, cell_write(&s->value, out));
}

static Status by_deserialise(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                             Arena *arena, Error *err) {
    ByState *s = state;
    const uint8_t *at = data;
    TRY(cell_read(&s->value, &at, arena, err));
    return cell_read(&s->by, &at, arena, err);
}

/* ---------------------------------------------------------------- the n best */

typedef struct BestState {
    ValueList list; /* the value compared by comes last */
    const Type *types;
    int64_t n;     /* 0: no row yet */
    uint32_t kept; /* n once the list has been cut: the first n rows are sorted */
    uint32_t columns;
} BestState;

static void best_init(void *state, const Type *args, Type result) {
    *(BestState *)state = (BestState){.types = args};
}

typedef struct BestOrder {
    const Vector *by;
    bool largest;
} BestOrder;

static int best_compare(const void *context, uint32_t a, uint32_t b) {
    const BestOrder *order = context;
    if (value_better(order->by, a, order->by, b, order->largest)) return -1;
    return value_better(order->by, b, order->by, a, order->largest) ? 1 : 0;
}

/* The rows of the list, the best first. */
static Status best_sort(const Aggregate *self, const BestState *s, uint32_t **out, Arena *arena,
                        Error *err) {
    uint32_t *indexes, *scratch, count = s->list.count;
    TRY_ALLOC(indexes, ARENA_ARRAY(arena, uint32_t, count), err);
    TRY_ALLOC(scratch, ARENA_ARRAY(arena, uint32_t, count), err);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    BestOrder order = {&s->list.columns[s->columns - 1], wants_largest(self)};
    index_sort(indexes, scratch, count, best_compare, &order);
    *out = indexes;
    return TRIB_OK;
}

/* Cuts the list to its n best. */
static Status best_cut(const Aggregate *self, BestState *s, Arena *arena, Error *err) {
    uint32_t *indexes, n = (uint32_t)s->n;
    Vector taken[2];
    TRY(best_sort(self, s, &indexes, arena, err));
    for (uint32_t c = 0; c < s->columns; c++)
        TRY(vector_gather(arena, &s->list.columns[c], indexes, n, &taken[c], err));
    ValueList cut = {0};
    TRY(value_list_add(&cut, s->columns, s->types, taken, NULL, n, arena, err));
    s->list = cut;
    s->kept = n;
    return TRIB_OK;
}

static Status best_add(const Aggregate *self, BestState *s, const Vector *args, uint32_t row,
                       Arena *arena, Error *err) {
    const Vector *by = &args[s->columns - 1];
    if (vector_is_null(by, row)) return TRIB_OK;
    if (s->kept > 0) {
        uint32_t position = row;
        const Vector *in = vector_resolve(by, &position);
        const Vector *mine = &s->list.columns[s->columns - 1];
        if (!value_better(in, position, mine, s->kept - 1, wants_largest(self))) return TRIB_OK;
    }
    TRY(value_list_add_row(&s->list, s->columns, s->types, args, row, arena, err));
    if (s->list.count < BEST_ROOM || s->list.count < 2 * (uint64_t)s->n) return TRIB_OK;
    return best_cut(self, s, arena, err);
}

/* n comes with the first row. */
static Status best_begin(const Aggregate *self, BestState *s, uint32_t nargs, const Vector *args,
                         uint32_t row, Error *err) {
    if (s->n > 0) return TRIB_OK;
    bool null = vector_is_null(&args[nargs - 1], row);
    int64_t n = null ? 0 : *(const int64_t *)vector_at(&args[nargs - 1], row);
    if (n < 1 || n > BEST_MOST)
        return error_set(err, ERR_INVALID_ARGUMENT, "%s: the number of values must be 1 to %d",
                         self->name, BEST_MOST);
    s->n = n;
    s->columns = nargs - 1;
    return TRIB_OK;
}

static Status best_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, uint8_t *const *states,
                          uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        BestState *s = STATE(BestState, states, i, offset);
        uint32_t row = selection != NULL ? selection[i] : i;
        TRY(best_begin(self, s, nargs, args, row, err));
        TRY(best_add(self, s, args, row, arena, err));
    }
    return TRIB_OK;
}

static Status best_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                          Error *err) {
    FOR_SELECTED(selection, count, row, {
        TRY(best_begin(self, state, nargs, args, row, err));
        TRY(best_add(self, state, args, row, arena, err));
    });
    return TRIB_OK;
}

static Status best_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                           Error *err) {
    BestState *s = into;
    const BestState *other = from;
    if (other->n == 0) return TRIB_OK;
    s->n = other->n;
    s->columns = other->columns;
    for (uint32_t i = 0; i < other->list.count; i++)
        TRY(best_add(self, s, other->list.columns, i, arena, err));
    return TRIB_OK;
}

static Status best_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                          uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const BestState *s = STATE(BestState, states, i, offset);
        if (s->list.count == 0) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        uint32_t *indexes, n = s->list.count;
        if ((uint64_t)s->n < n) n = (uint32_t)s->n;
        TRY(best_sort(self, s, &indexes, arena, err));
        TRY(result_array(result, i, &s->list.columns[0], indexes, n, arena, err));
    }
    return TRIB_OK;
}

static uint64_t best_bytes(const Aggregate *self, const void *state) {
    const BestState *s = state;
    return sizeof s->n + sizeof s->kept + sizeof s->columns + value_list_bytes(&s->list);
}

static void best_serialise(const Aggregate *self, const void *state, void *out) {
    const BestState *s = state;
    uint8_t *at = out;
    memcpy(at, &s->n, sizeof s->n);
    memcpy(at + 8, &s->kept, sizeof s->kept);
    memcpy(at + 12, &s->columns, sizeof s->columns);
    value_list_write(&s->list, at + 16);
}

static Status best_deserialise(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                               Arena *arena, Error *err) {
    BestState *s = state;
    const uint8_t *at = data;
    memcpy(&s->n, at, sizeof s->n);
    memcpy(&s->kept, at + 8, sizeof s->kept);
    memcpy(&s->columns, at + 12, sizeof s->columns);
    at += 16;
    return value_list_read(&s->list, s->columns, s->types, &at, arena, err);
}

/* ---------------------------------------------------------------- rows */

static Status resolve_array(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_array(arena, args[0]);
    return result->id == TRIB_TYPE_ARRAY ? TRIB_OK : error_out_of_memory(err);
}

#define BY(ID, HELP)                                                                               \
    {                                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = "E, O -> E", .state_size = sizeof(ByState), \
        .init = by_init, .update = by_update, .update_single = by_single, .combine = by_combine,   \
        .finish = by_finish, .family = "aggregate", .help = HELP, .state_bytes = by_bytes,         \
        .serialise = by_serialise, .deserialise = by_deserialise                                   \
    }
#define BEST(ID, SIGNATURE, HELP)                                                                 \
    {                                                                                             \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true,              \
        .state_size = sizeof(BestState), .init = best_init, .update = best_update,                \
        .update_single = best_single, .combine = best_combine, .finish = best_finish,             \
        .resolve = resolve_array, .family = "aggregate", .help = HELP, .state_bytes = best_bytes, \
        .serialise = best_serialise, .deserialise = best_deserialise                              \
    }

static const Aggregate rows[] = {
    BY(min_by, "The value of x in the row with the smallest y."),
    BY(max_by, "The value of x in the row with the largest y."),
    BEST(min, "O, bigint -> *", "The n smallest values, the smallest first."),
    BEST(max, "O, bigint -> *", "The n largest values, the largest first."),
    BEST(min_by, "E, O, bigint -> *", "The values of x in the n rows with the smallest y."),
    BEST(max_by, "E, O, bigint -> *", "The values of x in the n rows with the largest y."),
};

const AggregateTable aggregates_by = {rows, COUNT_OF(rows)};
