/*
 * datetime.c - rows and kernels that look at dates and times: fields, last day, Unix
 * time.
 *
 * Fields of zoned values are those of their own zone's wall clock.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/helpers.h"
#include "engine/kernels/cast.h"
#include "engine/kernels/moment.h"

/* ---------------------------------------------------------------- fields */

static int64_t date_field(uint16_t field, int32_t days) {
    CivilDate date;
    int32_t year, week;
    switch (field) {
    case TRIB_FN_day_of_week: return date_day_of_week(days);
    case TRIB_FN_day_of_year: return date_day_of_year(days);
    case TRIB_FN_week:
    case TRIB_FN_year_of_week:
        date_iso_week(days, &year, &week);
        return field == TRIB_FN_week ? week : year;
    default: break;
    }
    date = date_to_civil(days);
    switch (field) {
    case TRIB_FN_year: return date.year;
    case TRIB_FN_quarter: return (date.month + 2) / 3;
    case TRIB_FN_month: return date.month;
    default: return date.day;
    }
}

static Status kernel_date_field(KernelCall *call) {
    uint16_t field = call->function->id;
    int64_t *out = call->result->data;
    if (call->args[0].type.id == TRIB_TYPE_DATE) {
        KERNEL_ROWS(call, row,
                    { out[row] = date_field(field, KERNEL_ARG(call, 0, int32_t, row)); });
        return TRIB_OK;
    }
    KERNEL_ROWS(call, row,
                { out[row] = date_field(field, moment_days(moment_at(&call->args[0], row))); });
    return TRIB_OK;
}

static Status kernel_time_field(KernelCall *call) {
    uint16_t field = call->function->id;
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t us = floor_mod(moment_at(&call->args[0], row).us, US_PER_DAY);
        int64_t seconds = us / US_PER_SECOND;
        switch (field) {
        case TRIB_FN_hour: out[row] = seconds / 3600; break;
        case TRIB_FN_minute: out[row] = seconds / 60 % 60; break;
        case TRIB_FN_second: out[row] = seconds % 60; break;
        default: out[row] = us / 1000 % 1000;
        }
    });
    return TRIB_OK;
}

/* Fields of intervals have the interval's sign. */
static Status kernel_interval_ym_field(KernelCall *call) {
    bool year = call->function->id == TRIB_FN_year;
    LOOP_UNARY(call, int32_t, int64_t, int64_t r = year ? x / 12 : x % 12;);
    return TRIB_OK;
}

static Status kernel_interval_ds_field(KernelCall *call) {
    uint16_t field = call->function->id;
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t us = arg_int64(call, 0, row);
        int64_t seconds = us / US_PER_SECOND;
        switch (field) {
        case TRIB_FN_day: out[row] = us / US_PER_DAY; break;
        case TRIB_FN_hour: out[row] = seconds / 3600 % 24; break;
        case TRIB_FN_minute: out[row] = seconds / 60 % 60; break;
        case TRIB_FN_second: out[row] = seconds % 60; break;
        default: out[row] = us / 1000 % 1000;
        }
    });
    return TRIB_OK;
}

static Status kernel_zone_field(KernelCall *call) {
    bool hour = call->function->id == TRIB_FN_timezone_hour;
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int32_t offset;
        if (call->args[0].physical == PHYS_TIMETZ) {
            offset = KERNEL_ARG(call, 0, TimeTz, row).offset;
        } else {
            ZonedInstant t = KERNEL_ARG(call, 0, ZonedInstant, row);
            offset = zone_offset_at(t.zone, t.us);
        }
        out[row] = hour ? offset / 3600 : offset / 60 % 60;
    });
    return TRIB_OK;
}

static Status kernel_last_day_of_month(KernelCall *call) {
    int32_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        CivilDate date = date_to_civil(moment_days(moment_at(&call->args[0], row)));
        uint32_t day = date_days_in_month(date.year, date.month);
        out[row] = date_from_civil(date.year, date.month, day);
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- conversions */

static Status kernel_date(KernelCall *call) {
    return cast_kernel(call->args[0].type, call->result_type)(call);
}

static Status kernel_to_unixtime(KernelCall *call) {
    double *out = call->result->data;
    bool zoned = call->args[0].physical == PHYS_ZONED;
    KERNEL_ROWS(call, row, {
        Moment m = {0};
        if (zoned) {
            ZonedInstant t = KERNEL_ARG(call, 0, ZonedInstant, row);
            m = (Moment){.us = t.us, .ns = t.ns};
        } else {
            m = moment_at(&call->args[0], row);
        }
        out[row] = (double)m.us / 1e6 + m.ns / 1e9;
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define FIELD(ID, ALIASES, TYPE_NAME, KERNEL, HELP)                                               \
    {                                                                                             \
        .id = TRIB_FN_##ID, .name = #ID, .aliases = ALIASES, .signature = TYPE_NAME " -> bigint", \
        .kernel = KERNEL, .family = "date and time", .help = HELP                                 \
    }
#define DATE_FIELD(ID, ALIASES, HELP)                             \
    FIELD(ID, ALIASES, "date", kernel_date_field, HELP),          \
        FIELD(ID, ALIASES, "timestamp", kernel_date_field, HELP), \
        FIELD(ID, ALIASES, "timestamp with time zone", kernel_date_field, HELP)
#define TIME_FIELD(ID, HELP)                                                  \
    FIELD(ID, NULL, "timestamp", kernel_time_field, HELP),                    \
        FIELD(ID, NULL, "timestamp with time zone", kernel_time_field, HELP), \
        FIELD(ID, NULL, "time", kernel_time_field, HELP),                     \
        FIELD(ID, NULL, "time with time zone", kernel_time_field, HELP),      \
        FIELD(ID, NULL, "interval day to second", kernel_interval_ds_field, HELP)
#define ZONE_FIELD(ID, HELP)                                              \
    FIELD(ID, NULL, "timestamp with time zone", kernel_zone_field, HELP), \
        FIELD(ID, NULL, "time with time zone", kernel_zone_field, HELP)

static const char help_date[] = "The date of a timestamp, or the date that a text spells.";
static const char help_to[] = "Seconds since 1970-01-01 00:00 UTC.";
static const char help_last[] = "The last day of the month.";

static const Function rows[] = {
    DATE_FIELD(year, NULL, "The year."),
    FIELD(year, NULL, "interval year to month", kernel_interval_ym_field, "The years."),
    DATE_FIELD(quarter, NULL, "The quarter, 1 to 4."),
    DATE_FIELD(month, NULL, "The month, 1 to 12."),
    FIELD(month, NULL, "interval year to month", kernel_interval_ym_field, "The months."),
    DATE_FIELD(week, "week_of_year", "The ISO week, 1 to 53."),
    DATE_FIELD(year_of_week, "yow", "The year of the ISO week."),
    DATE_FIELD(day, "day_of_month", "The day of the month."),
    FIELD(day, NULL, "interval day to second", kernel_interval_ds_field, "The days."),
    DATE_FIELD(day_of_week, "dow", "The ISO day of the week, 1 = Monday to 7."),
    DATE_FIELD(day_of_year, "doy", "The day of the year, 1 to 366."),
    TIME_FIELD(hour, "The hour, 0 to 23."),
    TIME_FIELD(minute, "The minute."),
    TIME_FIELD(second, "The whole seconds."),
    TIME_FIELD(millisecond, "The milliseconds of the second."),
    ZONE_FIELD(timezone_hour, "The hours of the zone's offset."),
    ZONE_FIELD(timezone_minute, "The minutes of the zone's offset."),
    {.id = TRIB_FN_last_day_of_month,
     .name = "last_day_of_month",
     .signature = "date -> date",
     .kernel = kernel_last_day_of_month,
     .family = "date and time",
     .help = help_last},
    {.id = TRIB_FN_last_day_of_month,
     .name = "last_day_of_month",
     .signature = "timestamp -> date",
     .kernel = kernel_last_day_of_month,
     .family = "date and time",
     .help = help_last},
    {.id = TRIB_FN_last_day_of_month,
     .name = "last_day_of_month",
     .signature = "timestamp with time zone -> date",
     .kernel = kernel_last_day_of_month,
     .family = "date and time",
     .help = help_last},
    {.id = TRIB_FN_date,
     .name = "date",
     .signature = "timestamp -> date",
     .kernel = kernel_date,
     .family = "date and time",
     .help = help_date},
    {.id = TRIB_FN_date,
     .name = "date",
     .signature = "timestamp with time zone -> date",
     .kernel = kernel_date,
     .family = "date and time",
     .help = help_date},
    {.id = TRIB_FN_date,
     .name = "date",
     .signature = "varchar -> date",
     .may_raise = true,
     .kernel = kernel_date,
     .family = "date and time",
     .help = help_date},
    {.id = TRIB_FN_to_unixtime,
     .name = "to_unixtime",
     .signature = "timestamp -> double",
     .kernel = kernel_to_unixtime,
     .family = "date and time",
     .help = help_to},
    {.id = TRIB_FN_to_unixtime,
     .name = "to_unixtime",
     .signature = "timestamp with time zone -> double",
     .kernel = kernel_to_unixtime,
     .family = "date and time",
     .help = help_to},
};

FUNCTION_TABLE(functions_datetime, rows);
