/*
 * aggregate_ordered.c - an aggregate with an ORDER BY inside its call.
 *
 * The state collects the rows of its group, arguments and sort keys. At the end they are sorted and handed to
 * the aggregate in order. The binder makes a row of its own for each such call: a copy of the functions below
 * whose `context` says which aggregate it wraps and how it sorts. A group must fit into memory.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

typedef struct OrderedCall {
    const Aggregate *inner;
    uint32_t nargs, nkeys;
    AggregateOrder keys[];
} OrderedCall;

typedef struct OrderedState {
    ValueList list; /* arguments, then keys */
    const Type *types;
} OrderedState;

static void ordered_init(void *state, const Type *args, Type result) {
    *(OrderedState *)state = (OrderedState){.types = args};
}

static Status ordered_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                             const uint16_t *selection, uint32_t count, uint8_t *const *states,
                             uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        OrderedState *s = STATE(OrderedState, states, i, offset);
        TRY(value_list_add_row(&s->list, nargs, s->types, args,
                               selection != NULL ? selection[i] : i, arena, err));
    }
    return TRIB_OK;
}

static Status ordered_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                             const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                             Error *err) {
    OrderedState *s = state;
    return value_list_add(&s->list, nargs, s->types, args, selection, count, arena, err);
}

static Status ordered_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                              Error *err) {
    OrderedState *s = into;
    return value_list_add_list(&s->list, &((const OrderedState *)from)->list, s->types, arena, err);
}

/* ---------------------------------------------------------------- sorting */

typedef struct RowOrder {
    const OrderedCall *call;
    const Vector *keys;
} RowOrder;

static int ordered_compare(const void *context, uint32_t a, uint32_t b) {
    const RowOrder *order = context;
    for (uint32_t k = 0; k < order->call->nkeys; k++) {
        const Vector *v = &order->keys[k];
        const AggregateOrder *key = &order->call->keys[k];
        bool null_a = vector_is_null(v, a), null_b = vector_is_null(v, b);
        if (null_a || null_b) {
            if (null_a && null_b) continue;
            return null_a == key->nulls_first ? -1 : 1;
        }
        int compared = vector_compare(v, a, v, b);
        if (compared != 0) return key->descending ? -compared : compared;
    }
    return 0;
}

/* The inner aggregate's update with the rows of one group in their order, a batch at a time. */
static Status ordered_feed(const OrderedCall *call, const OrderedState *s, uint8_t *inner,
                           Arena *arena, Error *err) {
    uint32_t count = s->list.count, *indexes, *scratch;
    uint8_t *states[256];
    Vector *args;
    TRY_ALLOC(indexes, ARENA_ARRAY(arena, uint32_t, count), err);
    TRY_ALLOC(scratch, ARENA_ARRAY(arena, uint32_t, count), err);
    TRY_ALLOC(args, ARENA_ARRAY(arena, Vector, call->nargs), err);
    for (uint32_t i = 0; i < count; i++) indexes[i] = i;
    for (uint32_t i = 0; i < COUNT_OF(states); i++) states[i] = inner;
    RowOrder order = {call, &s->list.columns[call->nargs]};
    index_sort(indexes, scratch, count, ordered_compare, &order);
    for (uint32_t done = 0; done < count;) {
        uint32_t n = count - done < COUNT_OF(states) ? count - done : COUNT_OF(states);
        for (uint32_t a = 0; a < call->nargs; a++)
            TRY(vector_gather(arena, &s->list.columns[a], indexes + done, n, &args[a], err));
        TRY(call->inner->update(call->inner, call->nargs, args, NULL, n, states, 0, arena, err));
        done += n;
    }
    return TRIB_OK;
}

static Status ordered_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                             uint32_t count, Vector *result, Arena *arena, Error *err) {
    const OrderedCall *call = self->context;
    uint8_t **inner;
    TRY_ALLOC(inner, ARENA_ARRAY(arena, uint8_t *, count), err);
    for (uint32_t i = 0; i < count; i++) {
        const OrderedState *s = STATE(OrderedState, states, i, offset);
        TRY_ALLOC(inner[i], arena_alloc(arena, call->inner->state_size), err);
        call->inner->init(inner[i], s->types, result->type);
        if (s->list.count > 0) TRY(ordered_feed(call, s, inner[i], arena, err));
    }
    return call->inner->finish(call->inner, inner, 0, count, result, arena, err);
}

/* ---------------------------------------------------------------- spilling */

static uint64_t ordered_bytes(const Aggregate *self, const void *state) {
    return value_list_bytes(&((const OrderedState *)state)->list);
}

static void ordered_serialise(const Aggregate *self, const void *state, void *out) {
    value_list_write(&((const OrderedState *)state)->list, out);
}

static Status ordered_deserialise(const Aggregate *self, void *state, const void *data,
                                  uint64_t bytes, Arena *arena, Error *err) {
    const OrderedCall *call = self->context;
    OrderedState *s = state;
    const uint8_t *at = data;
    return value_list_read(&s->list, call->nargs + call->nkeys, s->types, &at, arena, err);
}

Status aggregate_ordered(Arena *arena, const Aggregate *inner, uint32_t nargs, uint32_t nkeys,
                         const AggregateOrder *keys, const Aggregate **out, Error *err) {
    Aggregate *self;
    OrderedCall *call;
    TRY_ALLOC(self, ARENA_NEW(arena, Aggregate), err);
    TRY_ALLOC(call, arena_alloc(arena, sizeof *call + nkeys * sizeof *keys), err);
    call->inner = inner;
    call->nargs = nargs;
    call->nkeys = nkeys;
    memcpy(call->keys, keys, nkeys * sizeof *keys);
    *self = (Aggregate){.id = inner->id,
                        .name = inner->name,
                        .signature = inner->signature,
                        .state_size = sizeof(OrderedState),
                        .may_raise = inner->may_raise,
                        .order_matters = true,
                        .init = ordered_init,
                        .update = ordered_update,
                        .update_single = ordered_single,
                        .combine = ordered_combine,
                        .finish = ordered_finish,
                        .family = inner->family,
                        .help = inner->help,
                        .state_bytes = ordered_bytes,
                        .serialise = ordered_serialise,
                        .deserialise = ordered_deserialise,
                        .context = call};
    *out = self;
    return TRIB_OK;
}

bool aggregate_same(const Aggregate *a, const Aggregate *b) {
    if (a == b) return true;
    if (a->finish != ordered_finish || b->finish != ordered_finish) return false;
    const OrderedCall *x = a->context, *y = b->context;
    return x->inner == y->inner && x->nargs == y->nargs && x->nkeys == y->nkeys &&
           memcmp(x->keys, y->keys, x->nkeys * sizeof x->keys[0]) == 0;
}
