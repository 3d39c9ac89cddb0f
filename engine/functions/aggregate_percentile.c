/*
 * aggregate_percentile.c - approx_percentile by t-digest.
 *
 * Values are collected as centroids of weight 1 (or as given) and merged when DIGEST_ROOM of them have come: sorted,
 * and neighbours joined while the weight of a centroid stays below 4 N q (1 - q) / DIGEST_COMPRESSION, q being its
 * place in the distribution, so that the tails stay exact (Dunning and Ertl, "Computing extremely accurate
 * quantiles using t-digests", 2019). Up to DIGEST_ROOM values the answer is one of them. Between centroids of
 * more than one value the answer is interpolated.
 */
#include "engine/functions/aggregate.h"
#include "engine/functions/value_store.h"

#include <math.h>

#define DIGEST_COMPRESSION 100
#define DIGEST_ROOM        1024
#define DIGEST_FIRST       8

typedef struct DigestState {
    NumberPair *centroids;
    double *fractions; /* wanted, by the first row; NULL = no row yet */
    double total, min, max;
    uint32_t count, capacity, merged; /* the first `merged` are sorted and joined */
    uint32_t nfractions;
    uint32_t joined; /* some centroid stands for values that differ */
    uint32_t unused;
} DigestState;

static void digest_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(DigestState));
}

/* Joins neighbours as far as their place in the distribution allows. */
static void digest_merge(DigestState *s) {
    pairs_sort(s->centroids, s->count);
    NumberPair *c = s->centroids;
    double before = 0;
    uint32_t kept = 0;
    for (uint32_t i = 1; i < s->count; i++) {
        double weight = c[kept].weight + c[i].weight;
        double low = before / s->total, high = (before + weight) / s->total;
        double most = fmin(low * (1 - low), high * (1 - high)) * 4 * s->total / DIGEST_COMPRESSION;
        if (weight <= most) {
            c[kept].value += (c[i].value - c[kept].value) * (c[i].weight / weight);
            c[kept].weight = weight;
            s->joined = 1;
        } else {
            before += c[kept].weight;
            c[++kept] = c[i];
        }
    }
    s->count = s->merged = kept + 1;
}

static Status digest_add(DigestState *s, double x, double weight, Arena *arena, Error *err) {
    if (s->count == s->capacity) {
        if (s->count - s->merged >= DIGEST_ROOM) digest_merge(s);
        if (s->count == s->capacity) {
            uint32_t capacity = s->capacity ? s->capacity * 2 : DIGEST_FIRST;
            if (capacity > s->merged + DIGEST_ROOM) capacity = s->merged + DIGEST_ROOM;
            if (capacity <= s->count) capacity = s->count + DIGEST_ROOM;
            NumberPair *centroids;
            TRY_ALLOC(centroids,
                      arena_resize(arena, s->centroids, s->capacity * sizeof *centroids,
                                   capacity * sizeof *centroids),
                      err);
            s->centroids = centroids;
            s->capacity = capacity;
        }
    }
    if (s->total == 0 || x < s->min) s->min = x;
    if (s->total == 0 || x > s->max) s->max = x;
    s->centroids[s->count++] = (NumberPair){x, weight};
    s->total += weight;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status fraction_check(double fraction, Error *err) {
    if (fraction >= 0 && fraction <= 1) return TRIB_OK;
    return error_set(err, ERR_INVALID_ARGUMENT, "approx_percentile: a percentage must be 0 to 1");
}

/* The wanted fractions come with the first row. */
static Status digest_begin(DigestState *s, const Vector *wanted, uint32_t row, Arena *arena,
                           Error *err) {
    if (s->fractions != NULL) return TRIB_OK;
    if (vector_is_null(wanted, row)) return fraction_check(NAN, err);
    const Vector *v = vector_resolve(wanted, &row), *from = v;
    uint32_t first = row, count = 1;
    if (v->physical == PHYS_LIST) {
        ListEntry entry = ((const ListEntry *)v->data)[row];
        from = &v->children[0];
        first = entry.offset;
        count = entry.length;
    }
    double *fractions;
    TRY_ALLOC(fractions, ARENA_ARRAY(arena, double, count + (size_t)1), err);
    for (uint32_t i = 0; i < count; i++) {
        if (vector_is_null(from, first + i)) return fraction_check(NAN, err);
        fractions[i] = *(const double *)vector_at(from, first + i);
        TRY(fraction_check(fractions[i], err));
    }
    s->fractions = fractions;
    s->nfractions = count;
    return TRIB_OK;
}

static Status digest_take(DigestState *s, uint32_t nargs, const Vector *args, uint32_t row,
                          Arena *arena, Error *err) {
    double weight = 1;
    TRY(digest_begin(s, &args[nargs - 1], row, arena, err));
    if (vector_is_null(&args[0], row)) return TRIB_OK;
    if (nargs == 3) {
        if (vector_is_null(&args[1], row)) return TRIB_OK;
        weight = *(const double *)vector_at(&args[1], row);
        if (!(weight >= 1) || isinf(weight))
            return error_set(err, ERR_INVALID_ARGUMENT,
                             "approx_percentile: a weight must be at least 1");
    }
    double x = number_at(&args[0], row);
    if (x != x) return error_set(err, ERR_INVALID_ARGUMENT, "approx_percentile: a value is NaN");
    return digest_add(s, x, weight, arena, err);
}

static Status digest_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, uint8_t *const *states,
                            uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        TRY(digest_take(STATE(DigestState, states, i, offset), nargs, args,
                        selection != NULL ? selection[i] : i, arena, err));
    return TRIB_OK;
}

static Status digest_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                             Error *err) {
    DigestState *s = into;
    const DigestState *other = from;
    if (s->fractions == NULL && other->fractions != NULL) {
        TRY_ALLOC(s->fractions,
                  (double *)(void *)arena_copy(arena, other->fractions,
                                               (other->nfractions + (size_t)1) * sizeof(double)),
                  err);
        s->nfractions = other->nfractions;
    }
    if (other->total == 0) return TRIB_OK;
    s->joined |= other->joined;
    double min = s->total == 0 ? other->min : fmin(s->min, other->min);
    double max = s->total == 0 ? other->max : fmax(s->max, other->max);
    for (uint32_t i = 0; i < other->count; i++)
        TRY(digest_add(s, other->centroids[i].value, other->centroids[i].weight, arena, err));
    s->min = min;
    s->max = max;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- quantiles */

/* Between two neighbours, `index` being so far behind the middle of the left one; a centroid of weight 1 is its
 * value within half a place around it. */
static double between(const NumberPair *a, const NumberPair *b, double behind, double ahead) {
    double left = 0, right = 0;
    if (a->weight == 1) {
        if (behind < 0.5) return a->value;
        left = 0.5;
    }
    if (b->weight == 1) {
        if (ahead <= 0.5) return b->value;
        right = 0.5;
    }
    double x = behind - left, y = ahead - right;
    double value = (a->value * y + b->value * x) / (x + y);
    return fmin(fmax(value, a->value), b->value);
}

/* Nothing has been joined: the value at that place, each as often as its weight says. */
static double exact_value(const DigestState *s, double index) {
    double before = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        before += s->centroids[i].weight;
        if (index < before) return s->centroids[i].value;
    }
    return s->max;
}

/* The centroids are sorted. */
static double digest_value(const DigestState *s, double fraction) {
    if (!s->joined) return exact_value(s, fraction * s->total);
    const NumberPair *c = s->centroids, *last = &c[s->count - 1];
    double index = fraction * s->total, middle = c[0].weight / 2;
    if (index < 1) return s->min;
    if (index > s->total - 1) return s->max;
    if (c[0].weight > 1 && index < c[0].weight / 2)
        return s->min + (index - 1) / (c[0].weight / 2 - 1) * (c[0].value - s->min);
    if (last->weight > 1 && s->total - index <= last->weight / 2)
        return s->max - (s->total - index - 1) / (last->weight / 2 - 1) * (s->max - last->value);
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        double step = (c[i].weight + c[i + 1].weight) / 2;
        if (middle + step > index)
            return between(&c[i], &c[i + 1], index - middle, middle + step - index);
        middle += step;
    }
    return s->max;
}

static void value_store(Vector *out, uint32_t position, double value) {
    if (out->physical != PHYS_INT64) {
        result_real(out, position, value);
        return;
    }
    bool high = value >= 9223372036854775807.0, low = value <= -9223372036854775808.0;
    ((int64_t *)out->data)[position] = high ? INT64_MAX : low ? INT64_MIN : llround(value);
}

static Status digest_array(const DigestState *s, Vector *result, uint32_t i, Arena *arena,
                           Error *err) {
    Vector *elements = &result->children[0];
    TRY(vector_reserve(arena, elements, result->entries + s->nfractions, err));
    for (uint32_t f = 0; f < s->nfractions; f++)
        value_store(elements, result->entries + f, digest_value(s, s->fractions[f]));
    ((ListEntry *)result->data)[i] = (ListEntry){result->entries, s->nfractions};
    result->entries += s->nfractions;
    return TRIB_OK;
}

static Status digest_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                            uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        DigestState *s = STATE(DigestState, states, i, offset);
        if (s->total == 0) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        pairs_sort(s->centroids, s->count);
        if (result->physical == PHYS_LIST) {
            TRY(digest_array(s, result, i, arena, err));
        } else {
            value_store(result, i, digest_value(s, s->fractions[0]));
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- spilling */

typedef struct DigestHead {
    double total, min, max;
    uint32_t count, merged, nfractions, any, joined, unused;
} DigestHead;

static uint64_t digest_bytes(const Aggregate *self, const void *state) {
    const DigestState *s = state;
    return sizeof(DigestHead) + s->nfractions * sizeof(double) + s->count * sizeof(NumberPair);
}

static void digest_serialise(const Aggregate *self, const void *state, void *out) {
    const DigestState *s = state;
    DigestHead head = {
        s->total,  s->min, s->max, s->count, s->merged, s->nfractions, s->fractions != NULL,
        s->joined, 0};
    uint8_t *at = out;
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    if (s->nfractions) memcpy(at, s->fractions, s->nfractions * sizeof(double));
    if (s->count)
        memcpy(at + s->nfractions * sizeof(double), s->centroids, s->count * sizeof(NumberPair));
}

static Status digest_deserialise(const Aggregate *self, void *state, const void *data,
                                 uint64_t bytes, Arena *arena, Error *err) {
    DigestState *s = state;
    DigestHead head;
    const uint8_t *at = data;
    memcpy(&head, at, sizeof head);
    at += sizeof head;
    if (!head.any) return TRIB_OK;
    TRY_ALLOC(s->fractions, ARENA_ARRAY(arena, double, head.nfractions + (size_t)1), err);
    TRY_ALLOC(s->centroids, ARENA_ARRAY(arena, NumberPair, head.count + (size_t)1), err);
    memcpy(s->fractions, at, head.nfractions * sizeof(double));
    memcpy(s->centroids, at + head.nfractions * sizeof(double), head.count * sizeof(NumberPair));
    s->total = head.total;
    s->min = head.min;
    s->max = head.max;
    s->count = s->capacity = head.count;
    s->merged = head.merged;
    s->joined = head.joined;
    s->nfractions = head.nfractions;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define DIGEST(SIGNATURE)                                                                      \
    {                                                                                          \
        .id = TRIB_AGG_approx_percentile, .name = "approx_percentile", .signature = SIGNATURE, \
        .state_size = sizeof(DigestState), .may_raise = true, .init = digest_init,             \
        .update = digest_update, .combine = digest_combine, .finish = digest_finish,           \
        .family = "aggregate",                                                                 \
        .help = "About the value below which a fraction (0 to 1) of all values, perhaps "      \
                "weighted, lies.",                                                             \
        .state_bytes = digest_bytes, .serialise = digest_serialise,                            \
        .deserialise = digest_deserialise                                                      \
    }

static const Aggregate rows[] = {
    DIGEST("bigint, double -> bigint"),
    DIGEST("double, double -> double"),
    DIGEST("decimal, double -> double"),
    DIGEST("real, double -> real"),
    DIGEST("bigint, array(double) -> array(bigint)"),
    DIGEST("double, array(double) -> array(double)"),
    DIGEST("decimal, array(double) -> array(double)"),
    DIGEST("real, array(double) -> array(real)"),
    DIGEST("bigint, double, double -> bigint"),
    DIGEST("double, double, double -> double"),
    DIGEST("decimal, double, double -> double"),
    DIGEST("real, double, double -> real"),
    DIGEST("bigint, double, array(double) -> array(bigint)"),
    DIGEST("double, double, array(double) -> array(double)"),
    DIGEST("decimal, double, array(double) -> array(double)"),
    DIGEST("real, double, array(double) -> array(real)"),
};

const AggregateTable aggregates_percentile = {rows, COUNT_OF(rows)};
