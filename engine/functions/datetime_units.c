/*
 * datetime_units.c - date_trunc, date_add, date_diff: by units with names.
 *
 * Units from days up count on the wall clock (of the value's own zone), smaller ones on the moment.
 */
#include "engine/functions/calendar_steps.h"

typedef enum Unit {
    UNIT_MICROSECOND,
    UNIT_MILLISECOND,
    UNIT_SECOND,
    UNIT_MINUTE,
    UNIT_HOUR,
    UNIT_DAY,
    UNIT_WEEK,
    UNIT_MONTH,
    UNIT_QUARTER,
    UNIT_YEAR,
    UNIT_NONE
} Unit;

typedef struct UnitRow {
    const char *name;
    int64_t us; /* 0 = counted in months */
    int64_t months;
} UnitRow;

static const UnitRow units[] = {
    [UNIT_MICROSECOND] = {"microsecond", 1, 0},
    [UNIT_MILLISECOND] = {"millisecond", 1000, 0},
    [UNIT_SECOND] = {"second", US_PER_SECOND, 0},
    [UNIT_MINUTE] = {"minute", 60 * US_PER_SECOND, 0},
    [UNIT_HOUR] = {"hour", 3600 * US_PER_SECOND, 0},
    [UNIT_DAY] = {"day", US_PER_DAY, 0},
    [UNIT_WEEK] = {"week", 7 * US_PER_DAY, 0},
    [UNIT_MONTH] = {"month", 0, 1},
    [UNIT_QUARTER] = {"quarter", 0, 3},
    [UNIT_YEAR] = {"year", 0, 12},
};

/* The unit of a row, if it is one for the type: dates have no hours, times no days. */
static Unit unit_arg(KernelCall *call, uint32_t row, Type type) {
    Str name = arg_text(call, 0, row);
    for (int unit = 0; unit < UNIT_NONE; unit++) {
        if (!str_equal_fold(name, str_from(units[unit].name))) continue;
        bool time = type.id == TRIB_TYPE_TIME || type.id == TRIB_TYPE_TIME_TZ;
        if (time ? unit >= UNIT_DAY : type.id == TRIB_TYPE_DATE && unit < UNIT_DAY) break;
        return (Unit)unit;
    }
    row_error(call, row, ERR_INVALID_ARGUMENT);
    return UNIT_NONE;
}

/* A constant unit is looked up once. */
#define UNIT_ROWS(call, type, row, unit, ...)                               \
    do {                                                                    \
        Unit fixed_unit = UNIT_NONE;                                        \
        KERNEL_ROWS(call, row, {                                            \
            Unit unit = fixed_unit;                                         \
            if (unit == UNIT_NONE) unit = unit_arg(call, row, type);        \
            if (unit == UNIT_NONE) continue;                                \
            if ((call)->args[0].form == VECTOR_CONSTANT) fixed_unit = unit; \
            __VA_ARGS__                                                     \
        });                                                                 \
    } while (0)

/* ---------------------------------------------------------------- date_trunc */

static int32_t days_trunc(int32_t days, Unit unit) {
    CivilDate date;
    if (unit == UNIT_WEEK) return days - (date_day_of_week(days) - 1);
    date = date_to_civil(days);
    switch (unit) {
    case UNIT_MONTH: return date_from_civil(date.year, date.month, 1);
    case UNIT_QUARTER: return date_from_civil(date.year, (date.month - 1u) / 3 * 3 + 1, 1);
    case UNIT_YEAR: return date_from_civil(date.year, 1, 1);
    default: return days;
    }
}

static Moment moment_trunc(Moment m, Unit unit) {
    m.ns = 0;
    if (unit < UNIT_DAY) {
        m.us = floor_div(m.us, units[unit].us) * units[unit].us;
    } else {
        m.us = days_trunc(moment_days(m), unit) * US_PER_DAY;
    }
    return m;
}

static Status kernel_date_trunc(KernelCall *call) {
    const Vector *v = &call->args[1];
    UNIT_ROWS(call, v->type, row, unit, {
        if (v->physical == PHYS_ZONED && unit < UNIT_DAY) {
            /* shifted by the offset and back, so that a repeated hour stays itself */
            ZonedInstant t = KERNEL_ARG(call, 1, ZonedInstant, row);
            int64_t offset = zone_offset_at(t.zone, t.us) * US_PER_SECOND;
            t.us = floor_div(t.us + offset, units[unit].us) * units[unit].us - offset;
            t.ns = 0;
            ((ZonedInstant *)call->result->data)[row] = t;
        } else {
            Moment m = moment_trunc(moment_at(v, row), unit);
            if (v->physical == PHYS_TIMETZ) {
                TimeTz t = KERNEL_ARG(call, 1, TimeTz, row);
                t.ns = m.us * 1000;
                ((TimeTz *)call->result->data)[row] = t;
            } else {
                moment_put(call->result, row, m);
            }
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- date_add */

/* Whole days of a zoned value: the same time on the clock of another day. */
static void zoned_add_days(KernelCall *call, uint32_t row, int64_t us) {
    Moment m = moment_at(&call->args[2], row);
    if (!moment_add_us(&m, us)) {
        row_error(call, row, ERR_DATETIME_OVERFLOW);
        return;
    }
    moment_put(call->result, row, m);
}

static Status kernel_date_add(KernelCall *call) {
    const Vector *v = &call->args[2];
    UNIT_ROWS(call, v->type, row, unit, {
        int64_t amount = arg_int64(call, 1, row);
        int64_t months;
        int64_t us;
        if (__builtin_mul_overflow(amount, units[unit].months, &months) ||
            __builtin_mul_overflow(amount, units[unit].us, &us)) {
            row_error(call, row, ERR_DATETIME_OVERFLOW);
            continue;
        }
        if (v->physical == PHYS_ZONED && (unit == UNIT_DAY || unit == UNIT_WEEK)) {
            zoned_add_days(call, row, us);
        } else {
            row_add(call, 2, row, months, us);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- date_diff */

static int64_t month_number(CivilDate date) {
    return date.year * INT64_C(12) + date.month;
}

/* Whole months from a to b, toward zero. */
static int64_t months_between(Moment a, Moment b) {
    int64_t months =
        month_number(date_to_civil(moment_days(b))) - month_number(date_to_civil(moment_days(a)));
    Moment reached = a;
    if (!moment_add_months(&reached, months)) return months;
    bool past = reached.us > b.us || (reached.us == b.us && reached.ns > b.ns);
    bool before = reached.us < b.us || (reached.us == b.us && reached.ns < b.ns);
    if (months > 0 && past) return months - 1;
    if (months < 0 && before) return months + 1;
    return months;
}

static int64_t us_between(Moment a, Moment b, int64_t unit) {
    int64_t difference = b.us - a.us;
    /* the last started microsecond does not count */
    if (difference > 0 && b.ns < a.ns) difference--;
    if (difference < 0 && b.ns > a.ns) difference++;
    return difference / unit;
}

static int64_t time_utc_us(TimeTz t) {
    return floor_mod(t.ns - t.offset * NS_PER_SECOND, NS_PER_DAY) / 1000;
}

static Status kernel_date_diff(KernelCall *call) {
    int64_t *out = call->result->data;
    const Vector *a = &call->args[1], *b = &call->args[2];
    UNIT_ROWS(call, a->type, row, unit, {
        Moment from = moment_at(a, row);
        Moment to = moment_at(b, row);
        if (a->physical == PHYS_TIMETZ) { /* as times of UTC */
            from.us = time_utc_us(KERNEL_ARG(call, 1, TimeTz, row));
            to.us = time_utc_us(KERNEL_ARG(call, 2, TimeTz, row));
        }
        if (a->physical == PHYS_ZONED) { /* both on the first one's clock */
            ZonedInstant x = KERNEL_ARG(call, 1, ZonedInstant, row);
            ZonedInstant y = KERNEL_ARG(call, 2, ZonedInstant, row);
            bool clock = unit >= UNIT_DAY;
            from.us = x.us + (clock ? zone_offset_at(x.zone, x.us) * US_PER_SECOND : 0);
            to.us = y.us + (clock ? zone_offset_at(x.zone, y.us) * US_PER_SECOND : 0);
        }
        if (units[unit].months > 0) {
            out[row] = months_between(from, to) / units[unit].months;
        } else {
            out[row] = us_between(from, to, units[unit].us);
        }
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status resolve_second(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[1];
    return TRIB_OK;
}

static Status resolve_third(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[2];
    return TRIB_OK;
}

#define UNIT_ROW(ID, SIGNATURE, RESOLVE, HELP)                                             \
    {                                                                                      \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true,        \
        .kernel = kernel_##ID, .resolve = RESOLVE, .family = "date and time", .help = HELP \
    }
#define UNIT_ROWS_OF(TYPE_NAME)                                                      \
    UNIT_ROW(date_trunc, "varchar, " TYPE_NAME " -> *", resolve_second,              \
             "The start of the second, hour, day, week, month, quarter or year."),   \
        UNIT_ROW(date_add, "varchar, bigint, " TYPE_NAME " -> *", resolve_third,     \
                 "Later by a number of units."),                                     \
        UNIT_ROW(date_diff, "varchar, " TYPE_NAME ", " TYPE_NAME " -> bigint", NULL, \
                 "Whole units from the first to the second.")

static const Function rows[] = {
    UNIT_ROWS_OF("date"),
    UNIT_ROWS_OF("timestamp"),
    UNIT_ROWS_OF("timestamp with time zone"),
    UNIT_ROWS_OF("time"),
    UNIT_ROWS_OF("time with time zone"),
};

FUNCTION_TABLE(functions_datetime_units, rows);
