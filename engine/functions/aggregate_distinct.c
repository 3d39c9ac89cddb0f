/*
 * aggregate_distinct.c - approx_distinct: the number of distinct values by HyperLogLog.
 *
 * A state begins as a set of up to SPARSE_MOST hashes, whose size is the exact answer. Then it becomes 2^p
 * registers, each the largest number of leading zeros seen among the hashes that fall to it. The estimate is
 * Ertl's ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6), which needs no
 * corrections by tables. The standard error is 1.04 / sqrt(2^p).
 */
#include "engine/functions/aggregate.h"

#include <math.h>

#define ERROR_DEFAULT 0.023
#define ERROR_LEAST   0.0040625
#define ERROR_MOST    0.26
#define BITS_LEAST    4
#define BITS_MOST     16
#define SPARSE_FIRST  8
#define SPARSE_MOST   128 /* slots of the set are twice as many */

typedef struct SketchState {
    uint64_t *set;      /* open addressing, 0 = free; NULL once there are registers */
    uint8_t *registers; /* 2^bits; NULL before */
    uint32_t count, slots;
    uint32_t bits; /* 0: no row yet */
    uint32_t unused;
} SketchState;

static void sketch_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(SketchState));
}

static void register_put(SketchState *s, uint64_t hash) {
    uint32_t index = (uint32_t)(hash >> (64 - s->bits));
    uint64_t rest = hash << s->bits | UINT64_C(1) << (s->bits - 1);
    uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);
    if (s->registers[index] < rank) s->registers[index] = rank;
}

static Status sketch_dense(SketchState *s, Arena *arena, Error *err) {
    TRY_ALLOC(s->registers, arena_alloc(arena, (size_t)1 << s->bits), err);
    for (uint32_t i = 0; i < s->slots; i++) {
        if (s->set[i] != 0) register_put(s, s->set[i]);
    }
    s->set = NULL;
    s->slots = 0;
    return TRIB_OK;
}

static void set_put(SketchState *s, uint64_t hash) {
    uint32_t at = (uint32_t)hash & (s->slots - 1);
    while (s->set[at] != 0 && s->set[at] != hash) at = (at + 1) & (s->slots - 1);
    if (s->set[at] == hash) return;
    s->set[at] = hash;
    s->count++;
}

static Status set_grow(SketchState *s, Arena *arena, Error *err) {
    uint64_t *old = s->set;
    uint32_t slots = s->slots;
    TRY_ALLOC(s->set, ARENA_ARRAY(arena, uint64_t, slots ? slots * 2 : SPARSE_FIRST), err);
    s->slots = slots ? slots * 2 : SPARSE_FIRST;
    s->count = 0;
    for (uint32_t i = 0; i < slots; i++) {
        if (old[i] != 0) set_put(s, old[i]);
    }
    return TRIB_OK;
}

static Status sketch_add(SketchState *s, uint64_t hash, Arena *arena, Error *err) {
    if (hash == 0) hash = 1;
    if (s->registers == NULL && s->count >= SPARSE_MOST) TRY(sketch_dense(s, arena, err));
    if (s->registers != NULL) {
        register_put(s, hash);
        return TRIB_OK;
    }
    if (s->count * 2 >= s->slots) TRY(set_grow(s, arena, err));
    set_put(s, hash);
    return TRIB_OK;
}

/* The number of registers that keeps the standard error below that of the first row. */
static Status sketch_begin(SketchState *s, uint32_t nargs, const Vector *args, uint32_t row,
                           Error *err) {
    if (s->bits > 0) return TRIB_OK;
    double most = ERROR_DEFAULT;
    if (nargs > 1) {
        bool null = vector_is_null(&args[1], row);
        most = null ? NAN : *(const double *)vector_at(&args[1], row);
        if (!(most >= ERROR_LEAST && most <= ERROR_MOST))
            return error_set(err, ERR_INVALID_ARGUMENT,
                             "approx_distinct: the standard error must be %g to %g", ERROR_LEAST,
                             ERROR_MOST);
    }
    uint32_t bits = (uint32_t)ceil(2 * log2(1.04 / most) - 1e-9);
    s->bits = bits < BITS_LEAST ? BITS_LEAST : bits > BITS_MOST ? BITS_MOST : bits;
    return TRIB_OK;
}

static Status sketch_take(SketchState *s, uint32_t nargs, const Vector *args, uint32_t row,
                          uint64_t hash, Arena *arena, Error *err) {
    TRY(sketch_begin(s, nargs, args, row, err));
    return vector_is_null(&args[0], row) ? TRIB_OK : sketch_add(s, hash, arena, err);
}

/* Hashes of up to BATCH_ROWS rows. */
static Status sketch_hashes(const Vector *v, const uint16_t *selection, uint32_t count,
                            uint64_t *hashes, Error *err) {
    if (count > BATCH_ROWS) return error_set(err, ERR_GENERAL, "a batch has too many rows");
    vector_hash(v, selection, count, false, hashes);
    return TRIB_OK;
}

static Status sketch_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, uint8_t *const *states,
                            uint32_t offset, Arena *arena, Error *err) {
    uint64_t hashes[BATCH_ROWS];
    TRY(sketch_hashes(&args[0], selection, count, hashes, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(sketch_take(STATE(SketchState, states, i, offset), nargs, args,
                        selection != NULL ? selection[i] : i, hashes[i], arena, err));
    return TRIB_OK;
}

static Status sketch_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                            Error *err) {
    uint64_t hashes[BATCH_ROWS];
    TRY(sketch_hashes(&args[0], selection, count, hashes, err));
    for (uint32_t i = 0; i < count; i++)
        TRY(sketch_take(state, nargs, args, selection != NULL ? selection[i] : i, hashes[i], arena,
                        err));
    return TRIB_OK;
}

static Status sketch_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                             Error *err) {
    SketchState *s = into;
    const SketchState *other = from;
    if (other->bits == 0) return TRIB_OK;
    s->bits = other->bits;
    for (uint32_t i = 0; i < other->slots; i++) {
        if (other->set[i] != 0) TRY(sketch_add(s, other->set[i], arena, err));
    }
    if (other->registers == NULL) return TRIB_OK;
    if (s->registers == NULL) TRY(sketch_dense(s, arena, err));
    for (uint32_t i = 0; i < UINT32_C(1) << s->bits; i++) {
        if (s->registers[i] < other->registers[i]) s->registers[i] = other->registers[i];
    }
    return TRIB_OK;
}

static double ertl_sigma(double x) {
    if (x == 1) return INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double ertl_tau(double x) {
    if (x == 0 || x == 1) return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static int64_t sketch_estimate(const SketchState *s) {
    if (s->registers == NULL) return s->count;
    uint32_t counts[66] = {0}, q = 64 - s->bits;
    double m = (double)(UINT32_C(1) << s->bits);
    for (uint32_t i = 0; i < UINT32_C(1) << s->bits; i++) counts[s->registers[i]]++;
    double z = m * ertl_tau(1 - counts[q + 1] / m);
    for (uint32_t k = q; k >= 1; k--) z = 0.5 * (z + counts[k]);
    z += m * ertl_sigma(counts[0] / m);
    return (int64_t)llround(m * m / (2 * log(2)) / z);
}

static Status sketch_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                            uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        ((int64_t *)result->data)[i] = sketch_estimate(STATE(SketchState, states, i, offset));
    return TRIB_OK;
}

/* bits, whether there are registers, then these or the hashes. */
static uint64_t sketch_bytes(const Aggregate *self, const void *state) {
    const SketchState *s = state;
    return 2 + (s->registers != NULL ? UINT64_C(1) << s->bits : s->count * sizeof(uint64_t));
}

static void sketch_serialise(const Aggregate *self, const void *state, void *out) {
    const SketchState *s = state;
    uint8_t *at = out;
    *at++ = (uint8_t)s->bits;
    *at++ = s->registers != NULL;
    if (s->registers != NULL) memcpy(at, s->registers, (size_t)1 << s->bits);
    for (uint32_t i = 0; i < s->slots; i++) {
        if (s->set[i] == 0) continue;
        memcpy(at, &s->set[i], sizeof *s->set);
        at += sizeof *s->set;
    }
}

static Status sketch_deserialise(const Aggregate *self, void *state, const void *data,
                                 uint64_t bytes, Arena *arena, Error *err) {
    SketchState *s = state;
    const uint8_t *at = data;
    s->bits = at[0];
    if (at[1]) {
        TRY(sketch_dense(s, arena, err));
        memcpy(s->registers, at + 2, (size_t)1 << s->bits);
        return TRIB_OK;
    }
    for (uint64_t i = 2; i + sizeof(uint64_t) <= bytes; i += sizeof(uint64_t)) {
        uint64_t hash;
        memcpy(&hash, at + i, sizeof hash);
        TRY(sketch_add(s, hash, arena, err));
    }
    return TRIB_OK;
}

#define SKETCH(SIGNATURE, RAISES)                                                              \
    {                                                                                          \
        .id = TRIB_AGG_approx_distinct, .name = "approx_distinct", .signature = SIGNATURE,     \
        .state_size = sizeof(SketchState), .may_raise = RAISES, .zero_of_none = true,          \
        .init = sketch_init, .update = sketch_update, .update_single = sketch_single,          \
        .combine = sketch_combine, .finish = sketch_finish, .family = "aggregate",             \
        .help = "About how many distinct values there are; standard error 2.3 % or as given.", \
        .state_bytes = sketch_bytes, .serialise = sketch_serialise,                            \
        .deserialise = sketch_deserialise                                                      \
    }

static const Aggregate rows[] = {
    SKETCH("T -> bigint", false),
    SKETCH("T, double -> bigint", true),
};

const AggregateTable aggregates_distinct = {rows, COUNT_OF(rows)};
