/*
 * interval.c - + - * / for dates, times and intervals.
 *
 * As in Trino: a date takes whole days only; months are added to the calendar with the day clamped to
 * the month's end; times of day wrap around midnight; the difference of two dates or timestamps is an
 * interval day to second.
 */
#include "engine/functions/calendar_steps.h"

#include <math.h>

static bool us_in_range(int64_t us) {
    return us >= date_from_civil(-9999, 1, 1) * US_PER_DAY &&
           us < (date_from_civil(9999, 12, 31) + 1) * US_PER_DAY;
}

bool moment_add_us(Moment *m, int64_t us) {
    return !__builtin_add_overflow(m->us, us, &m->us) && us_in_range(m->us);
}

bool moment_add_months(Moment *m, int64_t months) {
    bool overflow = false;
    int32_t days = moment_days(*m);
    int64_t rest = m->us - days * US_PER_DAY;
    if (months > 12 * 20000 || months < -12 * 20000) return false;
    days = date_add_months(days, months, &overflow);
    if (overflow) return false;
    m->us = days * US_PER_DAY + rest;
    return us_in_range(m->us);
}

static void time_add(KernelCall *call, const Vector *v, uint32_t row, int64_t us) {
    int64_t shift = us % US_PER_DAY * 1000;
    if (v->physical == PHYS_TIMETZ) {
        TimeTz t = *(const TimeTz *)vector_at(v, row);
        t.ns = floor_mod(t.ns + shift, NS_PER_DAY);
        ((TimeTz *)call->result->data)[row] = t;
    } else {
        int64_t ns = *(const int64_t *)vector_at(v, row);
        ((int64_t *)call->result->data)[row] = floor_mod(ns + shift, NS_PER_DAY);
    }
}

/* Zoned: microseconds go to the moment itself, months to the wall clock. */
static bool zoned_add(KernelCall *call, const Vector *v, uint32_t row, int64_t months, int64_t us) {
    ZonedInstant t = *(const ZonedInstant *)vector_at(v, row);
    bool fits = true;
    if (months != 0) {
        Moment m = moment_at(v, row);
        fits = moment_add_months(&m, months);
        t.us = zone_local_to_utc(t.zone, m.us);
    }
    fits = fits && !__builtin_add_overflow(t.us, us, &t.us) && us_in_range(t.us);
    ((ZonedInstant *)call->result->data)[row] = t;
    return fits;
}

void row_add(KernelCall *call, uint32_t argument, uint32_t row, int64_t months, int64_t us) {
    const Vector *v = &call->args[argument];
    bool fits = true;
    switch (v->type.id) {
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ: time_add(call, v, row, us); return;
    case TRIB_TYPE_TIMESTAMP_TZ: fits = zoned_add(call, v, row, months, us); break;
    default: {
        Moment m = moment_at(v, row);
        if (months != 0) fits = moment_add_months(&m, months);
        fits = fits && moment_add_us(&m, us);
        if (!fits) m.us = 0;
        moment_put(call->result, row, m);
    }
    }
    if (!fits) row_error(call, row, ERR_DATETIME_OVERFLOW);
}

/* ---------------------------------------------------------------- datetime and interval */

/* Adds sign * interval; the interval is argument `index`, the other is the date or time. */
static Status shift(KernelCall *call, uint32_t index, int sign) {
    const Vector *interval = &call->args[index];
    bool months = interval->type.id == TRIB_TYPE_INTERVAL_YM;
    bool date = call->args[1 - index].type.id == TRIB_TYPE_DATE;
    KERNEL_ROWS(call, row, {
        int64_t amount =
            months ? KERNEL_ARG(call, index, int32_t, row) : KERNEL_ARG(call, index, int64_t, row);
        if (amount == INT64_MIN) {
            row_error(call, row, ERR_INTERVAL_OVERFLOW);
            continue;
        }
        amount *= sign;
        if (date && !months && amount % US_PER_DAY != 0) {
            row_error(call, row, ERR_INVALID_ARGUMENT); /* hours of a date */
            continue;
        }
        row_add(call, 1 - index, row, months ? amount : 0, months ? 0 : amount);
    });
    return TRIB_OK;
}

static Status kernel_datetime_plus(KernelCall *call) {
    return shift(call, 1, 1);
}

static Status kernel_plus_datetime(KernelCall *call) {
    return shift(call, 0, 1);
}

static Status kernel_datetime_minus(KernelCall *call) {
    return shift(call, 1, -1);
}

/* The moment in UTC for zoned values, else the wall clock. */
static Moment comparable_moment(const Vector *v, uint32_t row) {
    if (v->physical != PHYS_ZONED) return moment_at(v, row);
    const ZonedInstant *t = vector_at(v, row);
    return (Moment){.us = t->us, .ns = t->ns};
}

static Status kernel_datetime_difference(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Moment a = comparable_moment(&call->args[0], row);
        Moment b = comparable_moment(&call->args[1], row);
        if (__builtin_sub_overflow(a.us, b.us, &out[row])) {
            row_error(call, row, ERR_INTERVAL_OVERFLOW);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- intervals alone */

static int64_t interval_at(const Vector *v, uint32_t row) {
    if (v->form == VECTOR_CONSTANT) row = 0;
    return v->physical == PHYS_INT32 ? ((const int32_t *)v->data)[row]
                                     : ((const int64_t *)v->data)[row];
}

static void interval_put(KernelCall *call, uint32_t row, int64_t value, bool overflow) {
    if (call->result->physical == PHYS_INT32) {
        overflow = overflow || value != (int32_t)value;
        ((int32_t *)call->result->data)[row] = (int32_t)value;
    } else {
        ((int64_t *)call->result->data)[row] = value;
    }
    if (overflow) row_error(call, row, ERR_INTERVAL_OVERFLOW);
}

static Status kernel_interval_add(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t sum;
        bool overflow = __builtin_add_overflow(interval_at(&call->args[0], row),
                                               interval_at(&call->args[1], row), &sum);
        interval_put(call, row, sum, overflow);
    });
    return TRIB_OK;
}

static Status kernel_interval_subtract(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t difference;
        bool overflow = __builtin_sub_overflow(interval_at(&call->args[0], row),
                                               interval_at(&call->args[1], row), &difference);
        interval_put(call, row, difference, overflow);
    });
    return TRIB_OK;
}

static Status kernel_interval_negate(KernelCall *call) {
    KERNEL_ROWS(call, row, {
        int64_t value;
        bool overflow = __builtin_sub_overflow(0, interval_at(&call->args[0], row), &value);
        interval_put(call, row, value, overflow);
    });
    return TRIB_OK;
}

/* interval * number in either order, interval / number. */
static Status interval_scale(KernelCall *call, bool divide) {
    uint32_t which = call->args[0].type.id == TRIB_TYPE_INTERVAL_YM ||
                             call->args[0].type.id == TRIB_TYPE_INTERVAL_DS
                         ? 0
                         : 1;
    const Vector *number = &call->args[1 - which];
    KERNEL_ROWS(call, row, {
        int64_t interval = interval_at(&call->args[which], row);
        int64_t product = 0;
        bool overflow = false;
        if (number->physical == PHYS_INT64 && !divide) {
            overflow = __builtin_mul_overflow(interval, interval_at(number, row), &product);
        } else {
            double factor = number->physical == PHYS_INT64
                                ? (double)interval_at(number, row)
                                : KERNEL_ARG(call, 1 - which, double, row);
            double r = divide ? (double)interval / factor : (double)interval * factor;
            if (divide && factor == 0) {
                row_error(call, row, ERR_DIVISION_BY_ZERO);
                continue;
            }
            r = round(r);
            overflow = !(fabs(r) < 9.2e18);
            product = overflow ? 0 : (int64_t)r;
        }
        interval_put(call, row, product, overflow);
    });
    return TRIB_OK;
}

static Status kernel_interval_multiply(KernelCall *call) {
    return interval_scale(call, false);
}

static Status kernel_interval_divide(KernelCall *call) {
    return interval_scale(call, true);
}

/* ---------------------------------------------------------------- rows */

#define YM "interval year to month"
#define DS "interval day to second"
#define TS "timestamp"
#define TZ "timestamp with time zone"
#define TT "time with time zone"

/* Intervals have three digits of seconds: what is shifted by one has them at least. */
static Status resolve_shifted(Type shifted, Type interval, Type *result) {
    *result = shifted;
    if (interval.id == TRIB_TYPE_INTERVAL_DS && shifted.id != TRIB_TYPE_DATE &&
        shifted.precision < 3)
        result->precision = 3;
    return TRIB_OK;
}

static Status resolve_shift(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    return resolve_shifted(args[0], args[1], result);
}

static Status resolve_shift_second(Arena *arena, uint32_t nargs, Type *args, Type *result,
                                   Error *err) {
    return resolve_shifted(args[1], args[0], result);
}

#define INTERVAL(ID, SIGNATURE, KERNEL, RESOLVE, HELP)                                \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true,   \
        .kernel = KERNEL, .resolve = RESOLVE, .family = "date and time", .help = HELP \
    }
#define SHIFT(TYPE_NAME, INTERVAL_NAME)                                                      \
    INTERVAL(add, TYPE_NAME ", " INTERVAL_NAME " -> *", kernel_datetime_plus, resolve_shift, \
             "Later by an interval."),                                                       \
        INTERVAL(add, INTERVAL_NAME ", " TYPE_NAME " -> *", kernel_plus_datetime,            \
                 resolve_shift_second, "Later by an interval."),                             \
        INTERVAL(subtract, TYPE_NAME ", " INTERVAL_NAME " -> *", kernel_datetime_minus,      \
                 resolve_shift, "Earlier by an interval.")
#define DIFFERENCE(TYPE_NAME)                                                                \
    INTERVAL(subtract, TYPE_NAME ", " TYPE_NAME " -> " DS, kernel_datetime_difference, NULL, \
             "The time between two moments.")
#define ALONE(TYPE_NAME)                                                                          \
    INTERVAL(add, TYPE_NAME ", " TYPE_NAME " -> " TYPE_NAME, kernel_interval_add, NULL, "Sum."),  \
        INTERVAL(subtract, TYPE_NAME ", " TYPE_NAME " -> " TYPE_NAME, kernel_interval_subtract,   \
                 NULL, "Difference."),                                                            \
        INTERVAL(negate, TYPE_NAME " -> " TYPE_NAME, kernel_interval_negate, NULL,                \
                 "The interval with its sign changed."),                                          \
        INTERVAL(multiply, TYPE_NAME ", bigint -> " TYPE_NAME, kernel_interval_multiply, NULL,    \
                 "Multiple of an interval."),                                                     \
        INTERVAL(multiply, "bigint, " TYPE_NAME " -> " TYPE_NAME, kernel_interval_multiply, NULL, \
                 "Multiple of an interval."),                                                     \
        INTERVAL(multiply, TYPE_NAME ", double -> " TYPE_NAME, kernel_interval_multiply, NULL,    \
                 "Multiple of an interval."),                                                     \
        INTERVAL(multiply, "double, " TYPE_NAME " -> " TYPE_NAME, kernel_interval_multiply, NULL, \
                 "Multiple of an interval."),                                                     \
        INTERVAL(divide, TYPE_NAME ", double -> " TYPE_NAME, kernel_interval_divide, NULL,        \
                 "Part of an interval.")

static const Function rows[] = {
    SHIFT("date", YM), SHIFT("date", DS),  SHIFT(TS, YM), SHIFT(TS, DS),      SHIFT(TZ, YM),
    SHIFT(TZ, DS),     SHIFT("time", DS),  SHIFT(TT, DS), DIFFERENCE("date"), DIFFERENCE(TS),
    DIFFERENCE(TZ),    DIFFERENCE("time"), ALONE(YM),     ALONE(DS),
};

FUNCTION_TABLE(functions_interval, rows);
