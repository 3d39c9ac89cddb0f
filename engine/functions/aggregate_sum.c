/*
 * aggregate_sum.c - sum and avg.
 *
 * Integers and decimals are added up in 128 bits and checked against the result's type at the end, so
 * that the outcome does not depend on the order of the rows. Those of up to 18 digits cannot fill 128
 * bits; wide decimals may on the way, and then the carries are counted: the true sum is
 * sum + carry * 2^128. real and double are added in the order of the rows.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/aggregate.h"
#include "engine/kernels/arithmetic.h"

typedef struct SumState {
    Int128A8 sum;
    int64_t rows; /* carry * 2^44 + number of values */
} SumState;

#define CARRY_SHIFT 44
#define CARRY_MOST  500000

static int64_t sum_rows(const SumState *self) {
    return self->rows & ((INT64_C(1) << CARRY_SHIFT) - 1);
}

static int64_t sum_carry(const SumState *self) {
    return self->rows >> CARRY_SHIFT;
}

/* A step went beyond 128 bits; false: too often. */
static bool sum_carried(SumState *self, int64_t carry) {
    int64_t all = sum_carry(self) + carry;
    if (all > CARRY_MOST || all < -CARRY_MOST) return false;
    self->rows += carry * (INT64_C(1) << CARRY_SHIFT);
    return true;
}

/* Adds in 128 bits that wrap; false: the carries do not fit. */
static bool sum_add(SumState *self, Int128 x) {
    Int128 sum;
    bool carried = __builtin_add_overflow((Int128)self->sum, x, &sum);
    self->sum = sum;
    return !carried || sum_carried(self, x > 0 ? 1 : -1);
}

typedef struct RealState {
    double sum;
    int64_t rows;
} RealState;

static void sum_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(SumState));
}

static void real_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(RealState));
}

static Status sum_overflow(const Aggregate *self, Type type, Error *err) {
    Buf text;
    buf_init(&text, NULL, 200);
    type_print(&text, type);
    error_set(err, ERR_OUT_OF_RANGE, "value out of range for %s: %s",
              text.data != NULL ? text.data : "the result", self->name);
    buf_clear(&text);
    return err->status;
}

/* ---------------------------------------------------------------- exact numbers */

#define SUM_UPDATE(T)                                       \
    AGGREGATE_VALUES(T, &args[0], selection, count, i, x, { \
        SumState *s = STATE(SumState, states, i, offset);   \
        s->sum += x;                                        \
        s->rows++;                                          \
    })

static Status sum_update_wide(const Aggregate *self, const Vector *v, const uint16_t *selection,
                              uint32_t count, uint8_t *const *states, uint32_t offset, Error *err) {
    bool overflow = false;
    AGGREGATE_VALUES(Int128, v, selection, count, i, x, {
        SumState *s = STATE(SumState, states, i, offset);
        overflow |= !sum_add(s, x);
        s->rows++;
    });
    return overflow ? sum_overflow(self, type_decimal(DECIMAL_MAX_DIGITS, v->type.scale), err)
                    : TRIB_OK;
}

static Status sum_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, uint8_t *const *states,
                         uint32_t offset, Arena *arena, Error *err) {
    switch (args[0].physical) {
    case PHYS_INT8: SUM_UPDATE(int8_t); break;
    case PHYS_INT16: SUM_UPDATE(int16_t); break;
    case PHYS_INT32: SUM_UPDATE(int32_t); break;
    case PHYS_INT64: SUM_UPDATE(int64_t); break;
    default: return sum_update_wide(self, &args[0], selection, count, states, offset, err);
    }
    return TRIB_OK;
}

/* A batch of up to 65,536 narrow integers cannot overflow 64 bits. */
#define SUM_SINGLE(T, ACC)                                      \
    do {                                                        \
        ACC sum = 0;                                            \
        int64_t rows = 0;                                       \
        AGGREGATE_VALUES(T, &args[0], selection, count, i, x, { \
            sum += x;                                           \
            rows++;                                             \
        });                                                     \
        s->sum += sum;                                          \
        s->rows += rows;                                        \
    } while (0)

KERNEL_CLONES static void sum_single_small(SumState *s, const Vector *args,
                                           const uint16_t *selection, uint32_t count) {
    switch (args[0].physical) {
    case PHYS_INT8: SUM_SINGLE(int8_t, int64_t); break;
    case PHYS_INT16: SUM_SINGLE(int16_t, int64_t); break;
    case PHYS_INT32: SUM_SINGLE(int32_t, int64_t); break;
    default: SUM_SINGLE(int64_t, Int128); break;
    }
}

static Status sum_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                         Error *err) {
    SumState *s = state;
    if (args[0].physical != PHYS_INT128) {
        sum_single_small(s, args, selection, count);
        return TRIB_OK;
    }
    Int128 sum = s->sum;
    int64_t carry = 0, rows = 0;
    AGGREGATE_VALUES(Int128, &args[0], selection, count, i, x, {
        if (__builtin_add_overflow(sum, x, &sum)) carry += x > 0 ? 1 : -1;
        rows++;
    });
    s->sum = sum;
    s->rows += rows;
    bool overflow = !sum_carried(s, carry);
    return overflow ? sum_overflow(self, type_decimal(DECIMAL_MAX_DIGITS, args[0].type.scale), err)
                    : TRIB_OK;
}

static Status sum_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                          Error *err) {
    SumState *s = into;
    const SumState *other = from;
    bool fits = sum_add(s, other->sum) && sum_carried(s, sum_carry(other));
    s->rows += sum_rows(other);
    return fits ? TRIB_OK : sum_overflow(self, type_decimal(DECIMAL_MAX_DIGITS, 0), err);
}

/* The opposite of sum_single: what the rows come to is taken away again. */
static Status sum_remove(const Aggregate *self, uint32_t nargs, const Vector *args,
                         const uint16_t *selection, uint32_t count, void *state, Error *err) {
    SumState *s = state, gone = {0};
    TRY(sum_single(self, nargs, args, selection, count, &gone, NULL, err));
    Int128 sum;
    bool carried = __builtin_sub_overflow((Int128)s->sum, (Int128)gone.sum, &sum);
    int64_t carry = carried ? (gone.sum > 0 ? -1 : 1) : 0;
    s->sum = sum;
    s->rows -= sum_rows(&gone);
    return sum_carried(s, carry - sum_carry(&gone))
               ? TRIB_OK
               : sum_overflow(self, type_decimal(DECIMAL_MAX_DIGITS, 0), err);
}

/* Stores an exact number; false if the type does not hold it. */
static bool exact_put(Vector *result, uint32_t i, Int128 value) {
    switch (result->physical) {
    case PHYS_INT32: ((int32_t *)result->data)[i] = (int32_t)value; return value == (int32_t)value;
    case PHYS_INT64: ((int64_t *)result->data)[i] = (int64_t)value; break;
    default: ((Int128 *)result->data)[i] = value; break;
    }
    if (result->type.id == TRIB_TYPE_DECIMAL) return decimal_fits(value, result->type.precision);
    return value == (int64_t)value;
}

static Status sum_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const SumState *s = STATE(SumState, states, i, offset);
        if (sum_rows(s) == 0) {
            TRY(result_null(result, i, arena, err));
        } else if (sum_carry(s) != 0 || !exact_put(result, i, s->sum)) {
            return sum_overflow(self, result->type, err);
        }
    }
    return TRIB_OK;
}

/* The sum, carries included, by the number of rows, half away from zero; false: beyond 128 bits. Division
 * by one digit in base 2^64 (Knuth, The Art of Computer Programming 4.3.1, exercise 16). */
static bool sum_divide(const SumState *self, Int128 *out) {
    typedef unsigned __int128 Wide;
    Wide low = (Wide)(Int128)self->sum, quotient, rest = 0, rows = (Wide)sum_rows(self);
    int64_t high = sum_carry(self) - (self->sum < 0);
    bool negative = high < 0;
    if (negative) {
        low = ~low + 1;
        high = ~high + (low == 0);
    }
    uint64_t digits[3] = {(uint64_t)high, (uint64_t)(low >> 64), (uint64_t)low};
    for (int i = 0; i < 3; i++) {
        Wide value = rest << 64 | digits[i];
        digits[i] = (uint64_t)(value / rows);
        rest = value % rows;
    }
    quotient = (Wide)digits[1] << 64 | digits[2];
    if (rest >= rows - rest) quotient++;
    if (digits[0] != 0 || quotient >> 127 != 0) return false;
    *out = negative ? -(Int128)quotient : (Int128)quotient;
    return true;
}

/* avg of decimals and intervals: the quotient, half away from zero; of integers: a double. */
static Status avg_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                         uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const SumState *s = STATE(SumState, states, i, offset);
        if (sum_rows(s) == 0) {
            TRY(result_null(result, i, arena, err));
            continue;
        }
        if (result->physical == PHYS_DOUBLE) {
            ((double *)result->data)[i] = decimal_to_double(s->sum, 0) / (double)sum_rows(s);
            continue;
        }
        Int128 quotient;
        if (!sum_divide(s, &quotient)) return sum_overflow(self, result->type, err);
        if (!exact_put(result, i, quotient)) return sum_overflow(self, result->type, err);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- real, double */

#define REAL_LOOP(T)                                        \
    AGGREGATE_VALUES(T, &args[0], selection, count, i, x, { \
        RealState *s = STATE(RealState, states, i, offset); \
        s->sum += (double)x;                                \
        s->rows++;                                          \
    })

static Status real_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, uint8_t *const *states,
                          uint32_t offset, Arena *arena, Error *err) {
    if (args[0].physical == PHYS_FLOAT) {
        REAL_LOOP(float);
    } else {
        REAL_LOOP(double);
    }
    return TRIB_OK;
}

#define REAL_SINGLE(T)                                      \
    AGGREGATE_VALUES(T, &args[0], selection, count, i, x, { \
        sum += (double)x;                                   \
        rows++;                                             \
    })

static Status real_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                          Error *err) {
    RealState *s = state;
    double sum = s->sum;
    int64_t rows = 0;
    if (args[0].physical == PHYS_FLOAT) {
        REAL_SINGLE(float);
    } else {
        REAL_SINGLE(double);
    }
    s->sum = sum;
    s->rows += rows;
    return TRIB_OK;
}

static Status real_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                           Error *err) {
    RealState *s = into;
    const RealState *other = from;
    s->sum += other->sum;
    s->rows += other->rows;
    return TRIB_OK;
}

static Status real_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                          uint32_t count, Vector *result, Arena *arena, Error *err) {
    bool average = self->id == TRIB_AGG_avg;
    for (uint32_t i = 0; i < count; i++) {
        const RealState *s = STATE(RealState, states, i, offset);
        double value = average && s->rows > 0 ? s->sum / (double)s->rows : s->sum;
        if (result->physical == PHYS_FLOAT) {
            ((float *)result->data)[i] = (float)value;
        } else {
            ((double *)result->data)[i] = value;
        }
        if (s->rows == 0) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status resolve_sum(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal(DECIMAL_MAX_DIGITS, args[0].scale);
    return TRIB_OK;
}

#define EXACT(ID, SIGNATURE, RAISES, FINISH, RESOLVE, HELP)                                        \
    {                                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(SumState),  \
        .may_raise = RAISES, .spillable_raw = true, .init = sum_init, .update = sum_update,        \
        .update_single = sum_single, .combine = sum_combine, .finish = FINISH, .resolve = RESOLVE, \
        .remove_single = sum_remove, .family = "aggregate", .help = HELP                           \
    }
#define REAL(ID, SIGNATURE, HELP)                                                                  \
    {                                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(RealState), \
        .spillable_raw = true, .init = real_init, .update = real_update,                           \
        .update_single = real_single, .combine = real_combine, .finish = real_finish,              \
        .family = "aggregate", .help = HELP                                                        \
    }

static const char help_sum[] = "The sum; NULL without values; an error where the type overflows.";
static const char help_avg[] = "The mean; NULL without values.";

static const Aggregate rows[] = {
    EXACT(sum, "bigint -> bigint", true, sum_finish, NULL, help_sum),
    EXACT(sum, "integer -> bigint", true, sum_finish, NULL, help_sum),
    EXACT(sum, "smallint -> bigint", true, sum_finish, NULL, help_sum),
    EXACT(sum, "tinyint -> bigint", true, sum_finish, NULL, help_sum),
    EXACT(sum, "decimal -> *", true, sum_finish, resolve_sum, help_sum),
    REAL(sum, "double -> double", help_sum),
    REAL(sum, "real -> real", help_sum),
    EXACT(sum, "interval day to second -> interval day to second", true, sum_finish, NULL,
          help_sum),
    EXACT(sum, "interval year to month -> interval year to month", true, sum_finish, NULL,
          help_sum),
    EXACT(avg, "bigint -> double", false, avg_finish, NULL, help_avg),
    EXACT(avg, "integer -> double", false, avg_finish, NULL, help_avg),
    EXACT(avg, "smallint -> double", false, avg_finish, NULL, help_avg),
    EXACT(avg, "tinyint -> double", false, avg_finish, NULL, help_avg),
    EXACT(avg, "decimal -> *", true, avg_finish, resolve_first, help_avg),
    REAL(avg, "double -> double", help_avg),
    REAL(avg, "real -> real", help_avg),
    EXACT(avg, "interval day to second -> interval day to second", true, avg_finish, NULL,
          help_avg),
    EXACT(avg, "interval year to month -> interval year to month", true, avg_finish, NULL,
          help_avg),
};

const AggregateTable aggregates_sum = {rows, COUNT_OF(rows)};
