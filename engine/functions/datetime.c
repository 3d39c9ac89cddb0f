/*
 * datetime.c - rows and kernels that look at dates and times: fields, last day, Unix time, zones,
 * date_format.
 *
 * Fields of zoned values are those of their own zone's wall clock.
 */
#include "engine/kernels/loop.h"
#include "engine/functions/helpers.h"
#include "engine/kernels/cast.h"
#include "engine/kernels/moment.h"

#include <math.h>

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

/* The zone of a text argument, -1 with the row's error if there is none of that name. */
static int16_t zone_arg(KernelCall *call, uint32_t index, uint32_t row) {
    int16_t zone = zone_lookup(arg_text(call, index, row));
    if (zone < 0) row_error(call, row, ERR_INVALID_ARGUMENT);
    return zone;
}

static Status kernel_at_timezone(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    bool named = call->args[1].physical == PHYS_STRING;
    KERNEL_ROWS(call, row, {
        ZonedInstant t = KERNEL_ARG(call, 0, ZonedInstant, row);
        if (named) {
            t.zone = zone_arg(call, 1, row);
        } else {
            int64_t minutes = arg_int64(call, 1, row) / (60 * US_PER_SECOND);
            if (minutes < -14 * 60 || minutes > 14 * 60) {
                row_error(call, row, ERR_INVALID_ARGUMENT);
                minutes = 0;
            }
            t.zone = (int16_t)(ZONE_OFFSET_BASE + minutes);
        }
        out[row] = t;
    });
    return TRIB_OK;
}

/* Seconds since 1970 as timestamp(3) with time zone. */
static Status kernel_from_unixtime(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    int16_t session_zone = call->session != NULL ? call->session->zone : ZONE_UTC;
    int64_t limit = date_from_civil(9999, 12, 31) * US_PER_DAY / 1000;
    KERNEL_ROWS(call, row, {
        double ms = round(KERNEL_ARG(call, 0, double, row) * 1000);
        bool fits = fabs(ms) < (double)limit; /* false for NaN */
        int16_t zone = call->nargs == 2 ? zone_arg(call, 1, row) : session_zone;
        if (!fits) row_error(call, row, ERR_DATETIME_OVERFLOW);
        out[row] = (ZonedInstant){.us = fits ? (int64_t)ms * 1000 : 0, .zone = zone < 0 ? 0 : zone};
    });
    return TRIB_OK;
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

static Status resolve_unixtime(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_timestamp_tz(3);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- date_format */

static const char *const month_names[] = {"January",   "February", "March",    "April",
                                          "May",       "June",     "July",     "August",
                                          "September", "October",  "November", "December"};
static const char *const day_names[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

typedef struct FormatClock {
    CivilDate date;
    CivilTime time;
    int32_t days;
} FormatClock;

static void format_date(Buf *out, char c, const FormatClock *f) {
    int32_t year, week;
    switch (c) {
    case 'a': buf_printf(out, "%.3s", day_names[date_day_of_week(f->days) - 1]); return;
    case 'b': buf_printf(out, "%.3s", month_names[f->date.month - 1]); return;
    case 'c': buf_printf(out, "%d", f->date.month); return;
    case 'd': buf_printf(out, "%02d", f->date.day); return;
    case 'e': buf_printf(out, "%d", f->date.day); return;
    case 'j': buf_printf(out, "%03d", date_day_of_year(f->days)); return;
    case 'M': buf_text(out, month_names[f->date.month - 1]); return;
    case 'm': buf_printf(out, "%02d", f->date.month); return;
    case 'v':
    case 'x':
        date_iso_week(f->days, &year, &week);
        buf_printf(out, c == 'v' ? "%02d" : "%04d", c == 'v' ? week : year);
        return;
    case 'W': buf_text(out, day_names[date_day_of_week(f->days) - 1]); return;
    case 'Y': buf_printf(out, "%04d", f->date.year); return;
    default: buf_printf(out, "%02d", f->date.year % 100); return;
    }
}

static void format_time(Buf *out, char c, const FormatClock *f) {
    int hour = f->time.hour, half = hour % 12 == 0 ? 12 : hour % 12;
    const char *noon = hour < 12 ? "AM" : "PM";
    switch (c) {
    case 'f': buf_printf(out, "%06d", f->time.ns / 1000); return;
    case 'H': buf_printf(out, "%02d", hour); return;
    case 'h':
    case 'I': buf_printf(out, "%02d", half); return;
    case 'i': buf_printf(out, "%02d", f->time.minute); return;
    case 'k': buf_printf(out, "%d", hour); return;
    case 'l': buf_printf(out, "%d", half); return;
    case 'p': buf_text(out, noon); return;
    case 'r':
        buf_printf(out, "%02d:%02d:%02d %s", half, f->time.minute, f->time.second, noon);
        return;
    case 'T': buf_printf(out, "%02d:%02d:%02d", hour, f->time.minute, f->time.second); return;
    default: buf_printf(out, "%02d", f->time.second); return;
    }
}

/* false: a specifier that Trino does not have either (%D %U %u %V %w %X). */
static bool format_clock(Buf *out, Str format, const FormatClock *f) {
    for (size_t i = 0; i < format.len; i++) {
        char c = format.data[i];
        if (c != '%' || i + 1 == format.len) {
            buf_char(out, c);
            continue;
        }
        c = format.data[++i];
        if (strchr("DUuVwX", c) != NULL && c != '\0') return false;
        if (strchr("abcdejMmvxWYy", c) != NULL && c != '\0') {
            format_date(out, c, f);
        } else if (strchr("fHhIiklprSsT", c) != NULL && c != '\0') {
            format_time(out, c, f);
        } else {
            buf_char(out, c); /* %% and unknown ones stand for themselves */
        }
    }
    return true;
}

static Status kernel_date_format(KernelCall *call) {
    Buf text;
    uint64_t limit = call->session != NULL && call->session->max_value_size != 0
                         ? call->session->max_value_size
                         : UINT32_MAX;
    Status status = TRIB_OK;
    buf_init(&text, NULL, limit);
    KERNEL_ROWS(call, row, {
        Moment m = moment_at(&call->args[0], row);
        FormatClock clock = {.days = moment_days(m)};
        clock.date = date_to_civil(clock.days);
        clock.time = time_to_civil(floor_mod(m.us, US_PER_DAY) * 1000 + m.ns);
        text.len = 0;
        text.failed = text.exceeded = false;
        if (!format_clock(&text, arg_text(call, 1, row), &clock)) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        status = kernel_put_buf(call, row, &text);
        if (status != TRIB_OK) break;
    });
    buf_clear(&text);
    return status;
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
static const char help_zone[] = "The same moment on the clocks of another zone.";
static const char help_from[] = "The moment that many seconds after 1970-01-01 00:00 UTC.";
static const char help_to[] = "Seconds since 1970-01-01 00:00 UTC.";
static const char help_format[] = "As text after a pattern of %Y, %m, %d, %H, %i, %s and others.";
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
    {.id = TRIB_FN_at_timezone,
     .name = "at_timezone",
     .signature = "timestamp with time zone, varchar -> *",
     .may_raise = true,
     .kernel = kernel_at_timezone,
     .resolve = resolve_first,
     .family = "date and time",
     .help = help_zone},
    {.id = TRIB_FN_at_timezone,
     .name = "at_timezone",
     .signature = "timestamp with time zone, interval day to second -> *",
     .may_raise = true,
     .kernel = kernel_at_timezone,
     .resolve = resolve_first,
     .family = "date and time",
     .help = help_zone},
    {.id = TRIB_FN_from_unixtime,
     .name = "from_unixtime",
     .signature = "double -> *",
     .stability = STABILITY_STATEMENT,
     .may_raise = true,
     .kernel = kernel_from_unixtime,
     .resolve = resolve_unixtime,
     .family = "date and time",
     .help = help_from},
    {.id = TRIB_FN_from_unixtime,
     .name = "from_unixtime",
     .signature = "double, varchar -> *",
     .may_raise = true,
     .kernel = kernel_from_unixtime,
     .resolve = resolve_unixtime,
     .family = "date and time",
     .help = help_from},
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
    {.id = TRIB_FN_date_format,
     .name = "date_format",
     .signature = "timestamp, varchar -> varchar",
     .may_raise = true,
     .kernel = kernel_date_format,
     .family = "date and time",
     .help = help_format},
    {.id = TRIB_FN_date_format,
     .name = "date_format",
     .signature = "timestamp with time zone, varchar -> varchar",
     .may_raise = true,
     .kernel = kernel_date_format,
     .family = "date and time",
     .help = help_format},
};

FUNCTION_TABLE(functions_datetime, rows);
