/*
 * aggregate_text.c - listagg: the values of a group in one text, with a separator.
 *
 * NULLs are left out. The result has at most LISTAGG_BYTES bytes, as in Trino; beyond it the call fails or, with
 * ON OVERFLOW TRUNCATE, ends in a filler and perhaps the number of values left out. The order comes from
 * WITHIN GROUP (aggregate_ordered.c).
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

#define LISTAGG_BYTES (1u << 20)

typedef struct ListaggClause {
    Str filler;
    bool with_count;
} ListaggClause;

typedef struct ListaggState {
    ValueList list; /* the values that are not NULL */
    Cell separator; /* of the first row */
    const Type *types;
    uint64_t unused;
} ListaggState;

static const Type text_type = {.id = TRIB_TYPE_VARCHAR};

static void listagg_init(void *state, const Type *args, Type result) {
    ListaggState *s = state;
    *s = (ListaggState){.types = args};
    cell_init(&s->separator, &text_type);
}

static Status listagg_take(ListaggState *s, uint32_t nargs, const Vector *args, uint32_t row,
                           Arena *arena, Error *err) {
    if (vector_is_null(&args[0], row)) return TRIB_OK;
    if (!s->separator.any && nargs > 1) TRY(cell_set(&s->separator, &args[1], row, arena, err));
    return value_list_add_row(&s->list, 1, s->types, args, row, arena, err);
}

static Status listagg_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                             const uint16_t *selection, uint32_t count, uint8_t *const *states,
                             uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        TRY(listagg_take(STATE(ListaggState, states, i, offset), nargs, args,
                         selection != NULL ? selection[i] : i, arena, err));
    return TRIB_OK;
}

static Status listagg_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                              Error *err) {
    ListaggState *s = into;
    const ListaggState *other = from;
    if (!s->separator.any && other->separator.any) {
        Vector separator;
        cell_view(&other->separator, &separator);
        TRY(cell_set(&s->separator, &separator, 0, arena, err));
    }
    return value_list_add_list(&s->list, &other->list, s->types, arena, err);
}

static Status listagg_overflow(const ListaggClause *clause, Str separator, uint32_t taken,
                               uint32_t left, Buf *text, Error *err) {
    if (clause == NULL) {
        error_set(err, ERR_LIMIT, "listagg: the text is longer than %u bytes", LISTAGG_BYTES);
        return error_hint(err, "ON OVERFLOW TRUNCATE cuts it.");
    }
    if (taken > 0) buf_str(text, separator);
    buf_str(text, clause->filler);
    if (clause->with_count) buf_printf(text, "(%u)", left);
    return TRIB_OK;
}

static Status listagg_text(const Aggregate *self, const ListaggState *s, Buf *text, Error *err) {
    const StrView *values = s->list.columns[0].data;
    Vector view;
    cell_view(&s->separator, &view);
    bool none = !s->separator.any || s->separator.null;
    Str separator = none ? STR("") : strview_str(view.data);
    for (uint32_t i = 0; i < s->list.count; i++) {
        uint64_t more = values[i].len + (i > 0 ? separator.len : 0);
        if (text->len + more > LISTAGG_BYTES)
            return listagg_overflow(self->context, separator, i, s->list.count - i, text, err);
        if (i > 0) buf_str(text, separator);
        buf_str(text, strview_str(&values[i]));
    }
    return TRIB_OK;
}

static Status listagg_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                             uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const ListaggState *s = STATE(ListaggState, states, i, offset);
        if (s->list.count == 0) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        Buf text;
        buf_init(&text, arena, UINT32_MAX);
        TRY(listagg_text(self, s, &text, err));
        TRY(buf_status(&text, err));
        ((StrView *)result->data)[i] = strview_of(buf_view(&text).data, text.len);
    }
    return TRIB_OK;
}

static uint64_t listagg_bytes(const Aggregate *self, const void *state) {
    const ListaggState *s = state;
    return cell_bytes(&s->separator) + value_list_bytes(&s->list);
}

static void listagg_serialise(const Aggregate *self, const void *state, void *out) {
    const ListaggState *s = state;
    value_list_write(&s->list, cell_write(&s->separator, out));
}

static Status listagg_deserialise(const Aggregate *self, void *state, const void *data,
                                  uint64_t bytes, Arena *arena, Error *err) {
    ListaggState *s = state;
    const uint8_t *at = data;
    TRY(cell_read(&s->separator, &at, arena, err));
    return value_list_read(&s->list, 1, s->types, &at, arena, err);
}

Status aggregate_listagg(Arena *arena, const Aggregate *inner, Str filler, bool with_count,
                         const Aggregate **out, Error *err) {
    Aggregate *self;
    ListaggClause *clause;
    TRY_ALLOC(self, ARENA_NEW(arena, Aggregate), err);
    TRY_ALLOC(clause, ARENA_NEW(arena, ListaggClause), err);
    *clause = (ListaggClause){filler, with_count};
    *self = *inner;
    self->context = clause;
    *out = self;
    return TRIB_OK;
}

#define LISTAGG(SIGNATURE)                                                                        \
    {                                                                                             \
        .id = TRIB_AGG_listagg, .name = "listagg", .signature = SIGNATURE, .may_raise = true,     \
        .state_size = sizeof(ListaggState), .order_matters = true, .init = listagg_init,          \
        .update = listagg_update, .combine = listagg_combine, .finish = listagg_finish,           \
        .family = "aggregate",                                                                    \
        .help = "The values that are not NULL in one text, separated; WITHIN GROUP orders them.", \
        .state_bytes = listagg_bytes, .serialise = listagg_serialise,                             \
        .deserialise = listagg_deserialise                                                        \
    }

static const Aggregate rows[] = {
    LISTAGG("varchar -> varchar"),
    LISTAGG("varchar, varchar -> varchar"),
};

const AggregateTable aggregates_text = {rows, COUNT_OF(rows)};
