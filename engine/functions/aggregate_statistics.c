/*
 * aggregate_statistics.c - variance and standard deviation.
 *
 * Welford's running mean and sum of squared differences; two states combine by Chan's formula
 * (Chan, Golub, LeVeque 1979), so that the result does not suffer from cancellation.
 */
#include "engine/functions/aggregate.h"

#include <math.h>

typedef struct MomentState {
    int64_t rows;
    double mean, squares;
} MomentState;

static void moment_init(void *state, const Type *args, Type result) {
    memset(state, 0, sizeof(MomentState));
}

static inline void moment_take(MomentState *s, double x) {
    s->rows++;
    double delta = x - s->mean;
    s->mean += delta / (double)s->rows;
    s->squares += delta * (x - s->mean);
}

static Status moment_update(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, uint8_t *const *states,
                            uint32_t offset, Arena *arena, Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x,
                      moment_take(STATE(MomentState, states, i, offset), x););
    return TRIB_OK;
}

static Status moment_single(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                            Error *err) {
    AGGREGATE_NUMBERS(&args[0], selection, count, i, x, moment_take(state, x););
    return TRIB_OK;
}

static Status moment_combine(const Aggregate *self, void *into, const void *from, Arena *arena,
                             Error *err) {
    MomentState *s = into;
    const MomentState *other = from;
    if (other->rows == 0) return TRIB_OK;
    double all = (double)(s->rows + other->rows), delta = other->mean - s->mean;
    s->squares += other->squares + delta * delta * ((double)s->rows * (double)other->rows / all);
    s->mean += delta * ((double)other->rows / all);
    s->rows += other->rows;
    return TRIB_OK;
}

static Status moment_finish(const Aggregate *self, uint8_t *const *states, uint32_t offset,
                            uint32_t count, Vector *result, Arena *arena, Error *err) {
    bool sample = self->id == TRIB_AGG_var_samp || self->id == TRIB_AGG_stddev_samp;
    bool root = self->id == TRIB_AGG_stddev_samp || self->id == TRIB_AGG_stddev_pop;
    for (uint32_t i = 0; i < count; i++) {
        const MomentState *s = STATE(MomentState, states, i, offset);
        int64_t divisor = s->rows - sample;
        double value = divisor > 0 ? s->squares / (double)divisor : 0;
        result_real(result, i, root ? sqrt(value) : value);
        if (divisor <= 0) TRY(result_null(result, i, arena, err));
    }
    return TRIB_OK;
}

#define MOMENT_ROW(ID, ALIASES, SIGNATURE, HELP)                                            \
    {                                                                                       \
        .id = TRIB_AGG_##ID, .name = #ID, .aliases = ALIASES, .signature = SIGNATURE,       \
        .state_size = sizeof(MomentState), .spillable_raw = true, .init = moment_init,      \
        .update = moment_update, .update_single = moment_single, .combine = moment_combine, \
        .finish = moment_finish, .family = "aggregate", .help = HELP                        \
    }

#define MOMENT(ID, ALIASES, HELP)                          \
    MOMENT_ROW(ID, ALIASES, "double -> double", HELP),     \
        MOMENT_ROW(ID, ALIASES, "real -> real", HELP),     \
        MOMENT_ROW(ID, ALIASES, "bigint -> double", HELP), \
        MOMENT_ROW(ID, ALIASES, "decimal -> double", HELP)

static const Aggregate rows[] = {
    MOMENT(stddev_samp, "stddev", "The sample standard deviation; NULL for fewer than two values."),
    MOMENT(stddev_pop, NULL, "The population standard deviation."),
    MOMENT(var_samp, "variance", "The sample variance; NULL for fewer than two values."),
    MOMENT(var_pop, NULL, "The population variance."),
};

const AggregateTable aggregates_statistics = {rows, COUNT_OF(rows)};
