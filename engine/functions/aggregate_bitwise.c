/*
 * aggregate_bitwise.c - bitwise_and_agg, bitwise_or_agg, bitwise_xor_agg; checksum; geometric_mean; entropy.
 *
 * States without pointers. The checksum adds up, modulo 2^64, a hash of each value times a prime, so that the
 * order of the rows does not matter; hashes are XXH64 of the values as Trino takes them, independent of the
 * process, so that checksums of different systems may be compared.
 */
#include "engine/functions/aggregate.h"

#include <math.h>
#include <xxhash.h>

#define CHECKSUM_PRIME UINT64_C(0x9E3779B185EBCA87)

/* ---------------------------------------------------------------- bits */

typedef struct BitState {
    uint64_t bits, any;
} BitState;

static void bit_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(BitState));
}

static void bit_take(const Aggregate *self, BitState *s, uint64_t x) {
    if (!s->any) {
        s->bits = x;
    } else if (self->id == TRIB_AGG_bitwise_and_agg) {
        s->bits &= x;
    } else if (self->id == TRIB_AGG_bitwise_or_agg) {
        s->bits |= x;
    } else {
        s->bits ^= x;
    }
    s->any = 1;
}

static Status bit_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, uint8_t *const *states,
                         uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_VALUES(uint64_t, &args[0], selection, count, i, x,
                     bit_take(self, STATE(BitState, states, i, offset), x););
    return TRIB_OK;
}

static Status bit_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                         Error *err) {
    AGGREGATE_VALUES(uint64_t, &args[0], selection, count, i, x, bit_take(self, state, x););
    return TRIB_OK;
}

static Status bit_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                          Error *err) {
    const BitState *other = from;
    if (other->any) bit_take(self, into, other->bits);
    return TRIB_OK;
}

static Status bit_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const BitState *s = STATE(BitState, states, i, offset);
        ((uint64_t *)result->data)[i] = s->bits;
        if (!s->any) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- checksum */

static uint64_t hash_long(int64_t x) {
    return XXH64(&x, sizeof x, 0);
}

static uint64_t hash_double(double x) {
    int64_t bits;
    if (x == 0) x = 0; /* -0 is 0 */
    if (x != x) return hash_long(INT64_C(0x7ff8000000000000));
    memcpy(&bits, &x, sizeof bits);
    return hash_long(bits);
}

static uint64_t hash_float(float x) {
    int32_t bits;
    if (x == 0) x = 0;
    if (x != x) return hash_long(0x7fc00000);
    memcpy(&bits, &x, sizeof bits);
    return hash_long(bits);
}

static uint64_t hash_value(const Vector *v, uint32_t position);

static uint64_t hash_element(const Vector *v, uint32_t position) {
    return vector_is_null(v, position) ? 0 : hash_value(v, position);
}

static uint64_t hash_nested(const Vector *v, uint32_t position) {
    uint64_t hash = v->physical == PHYS_ROW ? 1 : 0;
    if (v->physical == PHYS_ROW) {
        for (uint32_t c = 0; c < v->nchildren; c++)
            hash = hash * 31 + hash_element(&v->children[c], position);
        return hash;
    }
    ListEntry entry = ((const ListEntry *)v->data)[position];
    for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
        uint64_t first = hash_element(&v->children[0], i);
        if (v->nchildren == 2) {
            hash += first ^ hash_element(&v->children[1], i);
        } else {
            hash = hash * 31 + first;
        }
    }
    return hash;
}

static uint64_t hash_value(const Vector *v, uint32_t position) {
    v = vector_resolve(v, &position);
    if (v->physical == PHYS_LIST || v->physical == PHYS_ROW) return hash_nested(v, position);
    const void *at = vector_at(v, position);
    switch ((PhysicalType)v->physical) {
    case PHYS_BOOL: return hash_long(*(const uint8_t *)at != 0);
    case PHYS_INT8: return hash_long(*(const int8_t *)at);
    case PHYS_INT16: return hash_long(*(const int16_t *)at);
    case PHYS_INT32: return hash_long(*(const int32_t *)at);
    case PHYS_INT64: return hash_long(*(const int64_t *)at);
    case PHYS_FLOAT: return hash_float(*(const float *)at);
    case PHYS_DOUBLE: return hash_double(*(const double *)at);
    case PHYS_STRING: {
        const StrView *s = at;
        return XXH64(strview_data(s), s->len, 0);
    }
    case PHYS_ZONED: return hash_long(((const ZonedInstant *)at)->us);
    case PHYS_INSTANT:
        return hash_long(((const Instant *)at)->us) ^ hash_long(((const Instant *)at)->ns);
    case PHYS_TIMETZ:
        return hash_long(((const TimeTz *)at)->ns -
                         ((const TimeTz *)at)->offset * INT64_C(1000000000));
    default: {
        int64_t halves[2];
        memcpy(halves, at, sizeof halves);
        return hash_long(halves[0]) ^ hash_long(halves[1]);
    }
    }
}

static void checksum_take(BitState *s, const Vector *v, uint32_t row) {
    uint64_t hash = vector_is_null(v, row) ? 1 : hash_value(v, row);
    s->bits += CHECKSUM_PRIME * hash;
    s->any = 1;
}

static Status checksum_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, uint8_t *const *states,
                              uint32_t offset, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++)
        checksum_take(STATE(BitState, states, i, offset), &args[0],
                      selection != NULL ? selection[i] : i);
    return TRIB_OK;
}

static Status checksum_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                              const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                              Error *err) {
    FOR_SELECTED(selection, count, row, { checksum_take(state, &args[0], row); });
    return TRIB_OK;
}

static Status checksum_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                               Error *err) {
    BitState *s = into;
    const BitState *other = from;
    s->bits += other->bits;
    s->any |= other->any;
    return TRIB_OK;
}

static Status checksum_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                              uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const BitState *s = STATE(BitState, states, i, offset);
        char bytes[8];
        for (int b = 0; b < 8; b++) bytes[b] = (char)(s->bits >> (8 * b));
        ((StrView *)result->data)[i] = strview_of(bytes, sizeof bytes);
        if (!s->any) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- logarithms */

/* geometric_mean: the sum of the logarithms and the number of values; entropy: the sum of the counts and of
 * the counts times their logarithms. */
typedef struct LogState {
    double logarithms, sum;
} LogState;

static void log_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(LogState));
}

static void log_take(const Aggregate *self, LogState *s, double x) {
    bool mean = self->id == TRIB_AGG_geometric_mean;
    s->sum += mean ? 1 : x;
    if (mean) {
        s->logarithms += log(x);
    } else if (x > 0) {
        s->logarithms += x * log(x);
    }
}

static Status log_range(const Aggregate *self, double x, Error *err) {
    if (self->id == TRIB_AGG_geometric_mean || x >= 0) return TRIB_OK;
    return error_set(err, ERR_INVALID_ARGUMENT, "entropy: counts must not be negative");
}

static Status log_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, uint8_t *const *states,
                         uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x, {
        TRY(log_range(self, x, err));
        log_take(self, STATE(LogState, states, i, offset), x);
    });
    return TRIB_OK;
}

static Status log_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                         Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x, {
        TRY(log_range(self, x, err));
        log_take(self, state, x);
    });
    return TRIB_OK;
}

static Status log_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                          Error *err) {
    LogState *s = into;
    const LogState *other = from;
    s->logarithms += other->logarithms;
    s->sum += other->sum;
    return TRIB_OK;
}

static Status log_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const LogState *s = STATE(LogState, states, i, offset);
        double value = 0;
        if (self->id == TRIB_AGG_geometric_mean) {
            value = exp(s->logarithms / s->sum);
            if (s->sum == 0) TRY(result_null(result, i, arena, err));
        } else if (s->sum > 0) {
            value = (log(s->sum) - s->logarithms / s->sum) / log(2);
            if (value < 0) value = 0; /* rounding */
        }
        result_real(result, i, value);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define BITWISE(ID, HELP)                                                          \
    {                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = "bigint -> bigint",         \
        .state_size = sizeof(BitState), .spillable_raw = true, .init = bit_init,   \
        .update = bit_update, .update_single = bit_single, .combine = bit_combine, \
        .finish = bit_finish, .family = "aggregate", .help = HELP                  \
    }
#define LOGARITHMIC(ID, SIGNATURE, RAISES, HELP)                                                   \
    {                                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(LogState),  \
        .may_raise = RAISES, .spillable_raw = true,                                                \
        .zero_of_none = TRIB_AGG_##ID == TRIB_AGG_entropy, .init = log_init, .update = log_update, \
        .update_single = log_single, .combine = log_combine, .finish = log_finish,                 \
        .family = "aggregate", .help = HELP                                                        \
    }

static const char help_mean[] = "The geometric mean; NULL without values.";

static const Aggregate rows[] = {
    BITWISE(bitwise_and_agg, "Bitwise AND of all values; NULL without values."),
    BITWISE(bitwise_or_agg, "Bitwise OR of all values; NULL without values."),
    BITWISE(bitwise_xor_agg, "Bitwise exclusive OR of all values; NULL without values."),
    {.id = TRIB_AGG_checksum,
     .name = "checksum",
     .signature = "E -> varbinary",
     .state_size = sizeof(BitState),
     .spillable_raw = true,
     .init = bit_init,
     .update = checksum_update,
     .update_single = checksum_single,
     .combine = checksum_combine,
     .finish = checksum_finish,
     .family = "aggregate",
     .help = "A checksum of all values, NULLs included, that does not depend on their order."},
    LOGARITHMIC(geometric_mean, "double -> double", false, help_mean),
    LOGARITHMIC(geometric_mean, "real -> real", false, help_mean),
    LOGARITHMIC(geometric_mean, "bigint -> double", false, help_mean),
    LOGARITHMIC(geometric_mean, "decimal -> double", false, help_mean),
    LOGARITHMIC(entropy, "double -> double", true,
                "The base-2 entropy of a distribution given by counts; 0 without counts."),
};

const AggregateTable aggregates_bitwise = {rows, COUNT_OF(rows)};
