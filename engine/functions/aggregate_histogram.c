/*
 * aggregate_histogram.c - numeric_histogram and approx_most_frequent: summaries of bounded size.
 *
 * numeric_histogram keeps pairs (value, weight). When there are HISTOGRAM_SPARE more than buckets, the neighbours
 * whose union distorts least are joined until they fit (after Ben-Haim and Tom-Tov, "A streaming parallel decision
 * tree algorithm", 2010). approx_most_frequent is the stream summary of Metwally, Agrawal and El Abbadi (2005):
 * `capacity` values with counts; a new value takes the place of the rarest and inherits its count.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_table.h"

#include <math.h>

#define HISTOGRAM_SPARE 100
#define BUCKETS_MOST    1000000

static Status size_check(const Aggregate *self, const char *what, const Vector *v, uint32_t row,
                         int64_t least, int64_t *out, Error *err) {
    *out = vector_is_null(v, row) ? -1 : *(const int64_t *)vector_at(v, row);
    if (*out >= least && *out <= BUCKETS_MOST) return TRIB_OK;
    return error_set(err, ERR_INVALID_ARGUMENT, "%s: the %s must be %d to %d", self->name, what,
                     (int)least, BUCKETS_MOST);
}

/* ---------------------------------------------------------------- numeric_histogram */

typedef NumberPair Bar;

typedef struct BarState {
    Bar *bars;
    int64_t buckets; /* 0: no row yet */
    uint32_t count, capacity;
    uint64_t unused;
} BarState;

static void bar_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(BarState));
}

static Bar bar_join(Bar a, Bar b) {
    double weight = a.weight + b.weight;
    return (Bar){(a.value * a.weight + b.value * b.weight) / weight, weight};
}

static double bar_penalty(Bar a, Bar b) {
    double difference = a.value - b.value;
    return difference * difference * (a.weight * b.weight) / (a.weight + b.weight);
}

/* Sorts, joins equal values, then the cheapest neighbours until `buckets` are left. */
static void bars_compact(BarState *s) {
    Bar *bars = s->bars;
    uint32_t kept = 0;
    pairs_sort(bars, s->count);
    for (uint32_t i = 0; i < s->count; i++) {
        if (kept > 0 && bars[kept - 1].value == bars[i].value) {
            bars[kept - 1].weight += bars[i].weight;
        } else {
            bars[kept++] = bars[i];
        }
    }
    while (kept > s->buckets) {
        uint32_t best = 0;
        for (uint32_t i = 1; i + 1 < kept; i++) {
            if (bar_penalty(bars[i], bars[i + 1]) < bar_penalty(bars[best], bars[best + 1]))
                best = i;
        }
        bars[best] = bar_join(bars[best], bars[best + 1]);
        memmove(&bars[best + 1], &bars[best + 2], (kept - best - 2) * sizeof *bars);
        kept--;
    }
    s->count = kept;
}

static Status bar_add(BarState *s, double value, double weight, Arena *arena, Error *err) {
    uint64_t most = (uint64_t)s->buckets + HISTOGRAM_SPARE;
    if (s->count == most) bars_compact(s);
    if (s->count == s->capacity) {
        uint64_t capacity = s->capacity ? s->capacity * UINT64_C(2) : 8;
        if (capacity > most) capacity = most;
        Bar *bars;
        TRY_ALLOC(bars,
                  arena_resize(arena, s->bars, s->capacity * sizeof *bars, capacity * sizeof *bars),
                  err);
        s->bars = bars;
        s->capacity = (uint32_t)capacity;
    }
    s->bars[s->count++] = (Bar){value, weight};
    return TRIB_OK;
}

static Status bar_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, uint8_t *const *states,
                         uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        BarState *s = STATE(BarState, states, i, offset);
        uint32_t row = selection != NULL ? selection[i] : i;
        if (s->buckets == 0)
            TRY(size_check(self, "number of buckets", &args[0], row, 2, &s->buckets, err));
        bool null = vector_is_null(&args[1], row) || (nargs == 3 && vector_is_null(&args[2], row));
        if (null) continue;
        double value = number_at(&args[1], row);
        double weight = nargs == 3 ? number_at(&args[2], row) : 1;
        if (!isfinite(value) || !isfinite(weight))
            return error_set(err, ERR_INVALID_ARGUMENT,
                             "numeric_histogram: values and weights must be finite");
        TRY(bar_add(s, value, weight, arena, err));
    }
    return TRIB_OK;
}

static Status bar_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                          Error *err) {
    BarState *s = into;
    const BarState *other = from;
    if (other->buckets == 0) return TRIB_OK;
    s->buckets = other->buckets;
    for (uint32_t i = 0; i < other->count; i++)
        TRY(bar_add(s, other->bars[i].value, other->bars[i].weight, arena, err));
    return TRIB_OK;
}

static Status bar_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        BarState *s = STATE(BarState, states, i, offset);
        if (s->count == 0) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        bars_compact(s);
        for (uint32_t c = 0; c < 2; c++) {
            Vector *child = &result->children[c];
            TRY(vector_reserve(arena, child, result->entries + s->count, err));
            for (uint32_t b = 0; b < s->count; b++)
                result_real(child, result->entries + b, c ? s->bars[b].weight : s->bars[b].value);
        }
        ((ListEntry *)result->data)[i] = (ListEntry){result->entries, s->count};
        result->entries += s->count;
    }
    return TRIB_OK;
}

static uint64_t bar_bytes(const Aggregate *self, const void *state) {
    const BarState *s = state;
    return sizeof s->buckets + s->count * sizeof(Bar);
}

static void bar_serialise(const Aggregate *self, const void *state, void *out) {
    const BarState *s = state;
    memcpy(out, &s->buckets, sizeof s->buckets);
    if (s->count) memcpy((uint8_t *)out + sizeof s->buckets, s->bars, s->count * sizeof(Bar));
}

static Status bar_deserialise(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                              Arena *arena, Error *err) {
    BarState *s = state;
    memcpy(&s->buckets, data, sizeof s->buckets);
    uint64_t count = (bytes - sizeof s->buckets) / sizeof(Bar);
    if (count == 0) return TRIB_OK;
    TRY_ALLOC(s->bars, ARENA_ARRAY(arena, Bar, count), err);
    memcpy(s->bars, (const uint8_t *)data + sizeof s->buckets, count * sizeof(Bar));
    s->count = s->capacity = (uint32_t)count;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- approx_most_frequent */

typedef struct FrequentState {
    ValueTable values;
    int64_t *counts; /* by value; room for what has come, at most `size` */
    const Type *types;
    int64_t buckets, size; /* 0: no row yet */
    uint32_t room, rarest; /* where the search for the rarest goes on */
    int64_t least;         /* no count is below */
} FrequentState;

static void frequent_init(void *state, const Type *args, Type result) {
    *(FrequentState *)state = (FrequentState){.types = args};
}

/* The place of a rarest value. Counts only grow, so the search goes round and round. */
static uint32_t rarest_find(FrequentState *s) {
    uint32_t n = s->values.values.count;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = (s->rarest + i) % n;
        if (s->counts[at] > s->least) continue;
        s->rarest = at;
        return at;
    }
    uint32_t best = 0;
    for (uint32_t i = 1; i < n; i++) {
        if (s->counts[i] < s->counts[best]) best = i;
    }
    s->least = s->counts[best];
    s->rarest = best;
    return best;
}

static Status frequent_add(FrequentState *s, const Vector *v, uint32_t row, int64_t count,
                           Arena *arena, Error *err) {
    uint32_t number;
    bool added, full = s->values.values.count >= s->size;
    TRY(value_table_seek(&s->values, v, row, &number, &added, arena, err));
    if (!added) {
        s->counts[number] += count;
        return TRIB_OK;
    }
    if (full) {
        number = rarest_find(s);
        TRY(value_table_replace(&s->values, number, &s->types[1], v, row, arena, err));
        s->counts[number] += count;
        return TRIB_OK;
    }
    TRY(value_table_find(&s->values, &s->types[1], v, row, &number, &added, arena, err));
    if (number >= s->room) {
        uint32_t room = s->room ? s->room * 2 : 8;
        int64_t *counts;
        TRY_ALLOC(counts,
                  arena_resize(arena, s->counts, s->room * sizeof *counts, room * sizeof *counts),
                  err);
        s->counts = counts;
        s->room = room;
    }
    s->counts[number] = count;
    s->least = count < s->least || number == 0 ? count : s->least;
    return TRIB_OK;
}

static Status frequent_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, uint8_t *const *states,
                              uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        FrequentState *s = STATE(FrequentState, states, i, offset);
        uint32_t row = selection != NULL ? selection[i] : i;
        if (s->size == 0) {
            TRY(size_check(self, "number of buckets", &args[0], row, 2, &s->buckets, err));
            TRY(size_check(self, "capacity", &args[2], row, 1, &s->size, err));
        }
        if (!vector_is_null(&args[1], row)) TRY(frequent_add(s, &args[1], row, 1, arena, err));
    }
    return TRIB_OK;
}

static Status frequent_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                               Error *err) {
    FrequentState *s = into;
    const FrequentState *other = from;
    if (other->size == 0) return TRIB_OK;
    s->size = other->size;
    s->buckets = other->buckets;
    for (uint32_t i = 0; i < other->values.values.count; i++)
        TRY(frequent_add(s, &other->values.values.columns[0], i, other->counts[i], arena, err));
    return TRIB_OK;
}

static int frequent_compare(const void *context, uint32_t a, uint32_t b) {
    const int64_t *counts = context;
    return (counts[a] < counts[b]) - (counts[a] > counts[b]);
}

static Status frequent_put(const FrequentState *s, Vector *result, uint32_t i, Arena *arena,
                           Error *err) {
    uint32_t n = s->values.values.count, *order, *scratch;
    TRY_ALLOC(order, ARENA_ARRAY(arena, uint32_t, n), err);
    TRY_ALLOC(scratch, ARENA_ARRAY(arena, uint32_t, n), err);
    for (uint32_t k = 0; k < n; k++) order[k] = k;
    index_sort(order, scratch, n, frequent_compare, s->counts);
    if (s->buckets < n) n = (uint32_t)s->buckets;
    Vector counts = {.type = TYPE(BIGINT),
                     .physical = PHYS_INT64,
                     .form = VECTOR_FLAT,
                     .capacity = n,
                     .data = s->counts};
    Vector keys, values;
    TRY(vector_gather(arena, &s->values.values.columns[0], order, n, &keys, err));
    TRY(vector_gather(arena, &counts, order, n, &values, err));
    return result_map(result, i, &keys, &values, n, arena, err);
}

static Status frequent_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                              uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const FrequentState *s = STATE(FrequentState, states, i, offset);
        if (s->values.values.count == 0) {
            TRY(result_null(result, i, arena, err));
        } else {
            TRY(frequent_put(s, result, i, arena, err));
        }
    }
    return TRIB_OK;
}

static uint64_t frequent_bytes(const Aggregate *self, const void *state) {
    const FrequentState *s = state;
    return 2 * sizeof(int64_t) + value_list_bytes(&s->values.values) +
           s->values.values.count * sizeof *s->counts;
}

static void frequent_serialise(const Aggregate *self, const void *state, void *out) {
    const FrequentState *s = state;
    uint8_t *at = out;
    memcpy(at, &s->buckets, sizeof s->buckets);
    memcpy(at + 8, &s->size, sizeof s->size);
    at = value_list_write(&s->values.values, at + 16);
    if (s->values.values.count) memcpy(at, s->counts, s->values.values.count * sizeof *s->counts);
}

static Status frequent_deserialise(const Aggregate *self, void *state, const void *data,
                                   uint64_t bytes, Arena *arena, Error *err) {
    FrequentState *s = state;
    const uint8_t *at = data;
    memcpy(&s->buckets, at, sizeof s->buckets);
    memcpy(&s->size, at + 8, sizeof s->size);
    at += 16;
    TRY(value_table_read(&s->values, &s->types[1], &at, arena, err));
    s->room = s->values.values.count;
    if (s->room == 0) return TRIB_OK;
    TRY_ALLOC(s->counts, ARENA_ARRAY(arena, int64_t, s->room), err);
    memcpy(s->counts, at, s->room * sizeof *s->counts);
    s->least = s->counts[0];
    for (uint32_t i = 1; i < s->room; i++) {
        if (s->counts[i] < s->least) s->least = s->counts[i];
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status resolve_frequent(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_map(arena, args[1], TYPE(BIGINT));
    return result->id == TRIB_TYPE_MAP ? TRIB_OK : error_out_of_memory(err);
}

#define BARS(SIGNATURE)                                                                            \
    {                                                                                              \
        .id = TRIB_AGG_numeric_histogram, .name = "numeric_histogram", .signature = SIGNATURE,     \
        .state_size = sizeof(BarState), .may_raise = true, .init = bar_init, .update = bar_update, \
        .combine = bar_combine, .finish = bar_finish, .family = "aggregate",                       \
        .help = "A histogram of at most so many buckets: the mean of each and its weight.",        \
        .state_bytes = bar_bytes, .serialise = bar_serialise, .deserialise = bar_deserialise       \
    }

static const Aggregate rows[] = {
    BARS("bigint, double -> map(double, double)"),
    BARS("bigint, real -> map(real, real)"),
    BARS("bigint, double, double -> map(double, double)"),
    BARS("bigint, real, double -> map(real, real)"),
    {.id = TRIB_AGG_approx_most_frequent,
     .name = "approx_most_frequent",
     .signature = "bigint, T, bigint -> *",
     .state_size = sizeof(FrequentState),
     .may_raise = true,
     .init = frequent_init,
     .update = frequent_update,
     .combine = frequent_combine,
     .finish = frequent_finish,
     .resolve = resolve_frequent,
     .family = "aggregate",
     .help = "About the most frequent values and how often they occur, with memory for so many.",
     .state_bytes = frequent_bytes,
     .serialise = frequent_serialise,
     .deserialise = frequent_deserialise},
};

const AggregateTable aggregates_histogram = {rows, COUNT_OF(rows)};
