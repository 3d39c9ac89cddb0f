/*
 * aggregate_regression.c - two variables at a time (corr, covar_*, regr_*) and the higher moments of one
 * (skewness, kurtosis).
 *
 * Running means and sums of products of differences from them, in one pass; two states combine by the
 * formulas of Chan, Golub, LeVeque (1979) and, for the third and fourth moment, Pébay, "Formulas for robust,
 * one-pass parallel computation of covariances and arbitrary-order statistical moments" (2008). Results that
 * are not finite are NULL, as in Trino.
 */
#include "engine/functions/aggregate.h"

#include <math.h>

/* ---------------------------------------------------------------- pairs */

typedef struct PairState {
    int64_t rows;
    double mean_x, mean_y, xx, yy, xy; /* xx, yy, xy: sums of products of differences */
} PairState;

static void pair_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(PairState));
}

static inline void pair_take(PairState *s, double y, double x) {
    s->rows++;
    double dx = x - s->mean_x, dy = y - s->mean_y, n = (double)s->rows;
    s->mean_x += dx / n;
    s->mean_y += dy / n;
    s->xx += dx * (x - s->mean_x);
    s->yy += dy * (y - s->mean_y);
    s->xy += dx * (y - s->mean_y);
}

/* Rows in which both are there; the first argument is the dependent variable. */
#define PAIRS(STATE_OF)                                                               \
    for (uint32_t i = 0; i < count; i++) {                                            \
        uint32_t row = selection != NULL ? selection[i] : i;                          \
        if (vector_is_null(&args[0], row) || vector_is_null(&args[1], row)) continue; \
        pair_take((STATE_OF), number_at(&args[0], row), number_at(&args[1], row));    \
    }

static Status pair_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, uint8_t *const *states,
                          uint32_t offset, Arena *arena, Error *err) {
    PAIRS(STATE(PairState, states, i, offset));
    return TRIB_OK;
}

static Status pair_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                          const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                          Error *err) {
    PAIRS(state);
    return TRIB_OK;
}

static Status pair_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                           Error *err) {
    PairState *s = into;
    const PairState *other = from;
    if (other->rows == 0) return TRIB_OK;
    double n = (double)s->rows, m = (double)other->rows, all = n + m;
    double dx = other->mean_x - s->mean_x, dy = other->mean_y - s->mean_y;
    s->xx += other->xx + dx * dx * (n * m / all);
    s->yy += other->yy + dy * dy * (n * m / all);
    s->xy += other->xy + dx * dy * (n * m / all);
    s->mean_x += dx * (m / all);
    s->mean_y += dy * (m / all);
    s->rows += other->rows;
    return TRIB_OK;
}

/* NAN where there is no result. */
static double pair_result(uint16_t id, const PairState *s) {
    double n = (double)s->rows, slope = s->xy / s->xx;
    if (s->rows == 0) return NAN;
    switch (id) {
    case TRIB_AGG_corr: return s->xy / (sqrt(s->xx) * sqrt(s->yy));
    case TRIB_AGG_covar_pop: return s->xy / n;
    case TRIB_AGG_covar_samp: return s->rows > 1 ? s->xy / (n - 1) : NAN;
    case TRIB_AGG_regr_slope: return slope;
    case TRIB_AGG_regr_intercept: return s->mean_y - slope * s->mean_x;
    case TRIB_AGG_regr_avgx: return s->mean_x;
    case TRIB_AGG_regr_avgy: return s->mean_y;
    case TRIB_AGG_regr_sxx: return s->xx;
    case TRIB_AGG_regr_syy: return s->yy;
    case TRIB_AGG_regr_sxy: return s->xy;
    default: /* regr_r2 */
        if (s->xx == 0) return NAN;
        return s->yy == 0 ? 1 : s->xy * s->xy / (s->xx * s->yy);
    }
}

static Status real_put(Vector *result, uint32_t i, double value, Arena *arena, Error *err) {
    result_real(result, i, value);
    return isfinite(value) ? TRIB_OK : result_null(result, i, arena, err);
}

static Status pair_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                          uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const PairState *s = STATE(PairState, states, i, offset);
        if (self->id == TRIB_AGG_regr_count) {
            ((int64_t *)result->data)[i] = s->rows;
            continue;
        }
        TRY(real_put(result, i, pair_result(self->id, s), arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- moments */

typedef struct ShapeState {
    int64_t rows;
    double mean, m2, m3, m4;
} ShapeState;

static void shape_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(ShapeState));
}

static inline void shape_take(ShapeState *s, double x) {
    double n1 = (double)s->rows, n = n1 + 1;
    double delta = x - s->mean, step = delta / n, step2 = step * step, product = delta * step * n1;
    s->rows++;
    s->mean += step;
    s->m4 += product * step2 * (n * n - 3 * n + 3) + 6 * step2 * s->m2 - 4 * step * s->m3;
    s->m3 += product * step * (n - 2) - 3 * step * s->m2;
    s->m2 += product;
}

static Status shape_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, uint8_t *const *states,
                           uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x,
                      shape_take(STATE(ShapeState, states, i, offset), x););
    return TRIB_OK;
}

static Status shape_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                           const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                           Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x, shape_take(state, x););
    return TRIB_OK;
}

static Status shape_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                            Error *err) {
    ShapeState *s = into;
    const ShapeState *o = from;
    if (o->rows == 0) return TRIB_OK;
    if (s->rows == 0) {
        *s = *o;
        return TRIB_OK;
    }
    double a = (double)s->rows, b = (double)o->rows, n = a + b, d = o->mean - s->mean;
    double m4 = o->m4 + d * d * d * d * a * b * (a * a - a * b + b * b) / (n * n * n) +
                6 * d * d * (a * a * o->m2 + b * b * s->m2) / (n * n) +
                4 * d * (a * o->m3 - b * s->m3) / n;
    double m3 = o->m3 + d * d * d * a * b * (a - b) / (n * n) + 3 * d * (a * o->m2 - b * s->m2) / n;
    s->m4 += m4;
    s->m3 += m3;
    s->m2 += o->m2 + d * d * a * b / n;
    s->mean += d * b / n;
    s->rows += o->rows;
    return TRIB_OK;
}

static Status shape_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                           uint32_t count, Vector *result, Arena *arena, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const ShapeState *s = STATE(ShapeState, states, i, offset);
        double n = (double)s->rows, value = NAN;
        if (self->id == TRIB_AGG_skewness && s->rows >= 3)
            value = sqrt(n) * s->m3 / (s->m2 * sqrt(s->m2));
        if (self->id == TRIB_AGG_kurtosis && s->rows >= 4) {
            double variance = s->m2 / (n - 1), rest = (n - 2) * (n - 3);
            value = n * (n + 1) / ((n - 1) * rest) * (s->m4 / (variance * variance)) -
                    3 * (n - 1) * (n - 1) / rest;
        }
        TRY(real_put(result, i, value, arena, err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define PAIR_ROW(ID, SIGNATURE, HELP)                                                              \
    {                                                                                              \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE, .state_size = sizeof(PairState), \
        .spillable_raw = true, .zero_of_none = TRIB_AGG_##ID == TRIB_AGG_regr_count,               \
        .init = pair_init, .update = pair_update, .update_single = pair_single,                    \
        .combine = pair_combine, .finish = pair_finish, .family = "aggregate", .help = HELP        \
    }
#define PAIR(ID, HELP)                                                                        \
    PAIR_ROW(ID, "double, double -> double", HELP), PAIR_ROW(ID, "real, real -> real", HELP), \
        PAIR_ROW(ID, "bigint, bigint -> double", HELP),                                       \
        PAIR_ROW(ID, "decimal, decimal -> double", HELP)
#define SHAPE_ROW(ID, SIGNATURE, HELP)                                                   \
    {                                                                                    \
        .id = TRIB_AGG_##ID, .name = #ID, .signature = SIGNATURE,                        \
        .state_size = sizeof(ShapeState), .spillable_raw = true, .init = shape_init,     \
        .update = shape_update, .update_single = shape_single, .combine = shape_combine, \
        .finish = shape_finish, .family = "aggregate", .help = HELP                      \
    }

#define SHAPE(ID, HELP)                                                           \
    SHAPE_ROW(ID, "double -> double", HELP), SHAPE_ROW(ID, "real -> real", HELP), \
        SHAPE_ROW(ID, "bigint -> double", HELP), SHAPE_ROW(ID, "decimal -> double", HELP)

static const Aggregate rows[] = {
    PAIR(corr, "The correlation coefficient of (y, x)."),
    PAIR(covar_pop, "The population covariance of (y, x)."),
    PAIR(covar_samp, "The sample covariance of (y, x); NULL for fewer than two pairs."),
    PAIR(regr_slope, "The slope of the linear regression of y on x."),
    PAIR(regr_intercept, "The intercept of the linear regression of y on x."),
    PAIR(regr_avgx, "The mean of x over the pairs (y, x) without NULL."),
    PAIR(regr_avgy, "The mean of y over the pairs (y, x) without NULL."),
    PAIR_ROW(regr_count, "double, double -> bigint", "The number of pairs (y, x) without NULL."),
    PAIR(regr_r2, "The square of the correlation coefficient of (y, x)."),
    PAIR(regr_sxx, "The sum of the squared differences of x from its mean."),
    PAIR(regr_syy, "The sum of the squared differences of y from its mean."),
    PAIR(regr_sxy, "The sum of the products of the differences of y and x."),
    SHAPE(skewness, "The skewness; NULL for fewer than three values."),
    SHAPE(kurtosis, "The excess kurtosis, unbiased; NULL for fewer than four values."),
};

const AggregateTable aggregates_regression = {rows, COUNT_OF(rows)};
