/*
 * datetime_zone.c - rows and kernels of time zones and of times since 1970: with_timezone, timezone,
 * at_timezone of times, from_unixtime with zones, from_unixtime_nanos.
 */
#include "engine/functions/helpers.h"
#include "engine/kernels/arithmetic.h"
#include "engine/kernels/moment.h"

#include <math.h>

#define OFFSET_MOST (14 * 60) /* minutes */

static int16_t session_zone(const KernelCall *call) {
    return call->session != NULL ? call->session->zone : ZONE_UTC;
}

/* ---------------------------------------------------------------- names */

static Status put_zone(KernelCall *call, uint32_t row, int16_t zone) {
    const char *name = zone_name(zone);
    return kernel_put_text(call, row, name, strlen(name));
}

static Status kernel_current_timezone(KernelCall *call) {
    KERNEL_ROWS(call, row, { TRY(put_zone(call, row, session_zone(call))); });
    return TRIB_OK;
}

static Status kernel_timezone(KernelCall *call) {
    KERNEL_ROWS(call, row, { TRY(put_zone(call, row, moment_at(&call->args[0], row).zone)); });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- other clocks */

/* The wall clock as that of a zone. A time that its clocks skip moves forward. */
static Status kernel_with_timezone(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Moment m = moment_at(&call->args[0], row);
        int16_t zone = zone_lookup(arg_text(call, 1, row));
        if (zone < 0) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            zone = ZONE_UTC;
        }
        out[row] =
            (ZonedInstant){.us = zone_local_to_utc(zone, m.us), .zone = zone, .ns = (int16_t)m.ns};
    });
    return TRIB_OK;
}

/* The zone of argument 1, a name or an interval; -1 with the row's error. */
static int16_t zone_argument(KernelCall *call, uint32_t row) {
    int16_t zone = -1;
    if (call->args[1].physical == PHYS_STRING) {
        zone = zone_lookup(arg_text(call, 1, row));
    } else {
        int64_t us = arg_int64(call, 1, row);
        int64_t minutes = us / (60 * US_PER_SECOND);
        if (us % (60 * US_PER_SECOND) == 0 && minutes >= -OFFSET_MOST && minutes <= OFFSET_MOST)
            zone = minutes == 0 ? ZONE_UTC : (int16_t)(ZONE_OFFSET_BASE + minutes);
    }
    if (zone < 0) row_error(call, row, ERR_INVALID_ARGUMENT);
    return zone;
}

static Status kernel_at_timezone(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    KERNEL_ROWS(call, row, {
        out[row] = KERNEL_ARG(call, 0, ZonedInstant, row);
        int16_t zone = zone_argument(call, row);
        if (zone >= 0) out[row].zone = zone;
    });
    return TRIB_OK;
}

/* The offset that the zone has at the statement's time. */
static Status kernel_time_at_timezone(KernelCall *call) {
    TimeTz *out = call->result->data;
    int64_t now = call->session != NULL ? call->session->now_us : 0;
    KERNEL_ROWS(call, row, {
        TimeTz t = KERNEL_ARG(call, 0, TimeTz, row);
        int16_t zone = zone_argument(call, row);
        int32_t offset = zone >= 0 ? zone_offset_at(zone, now) : t.offset;
        int64_t shift = (int64_t)(offset - t.offset) * NS_PER_SECOND;
        out[row] = (TimeTz){.ns = floor_mod(t.ns + shift, NS_PER_DAY), .offset = offset};
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- since 1970 */

static bool ms_of_seconds(double seconds, int64_t *ms) {
    double rounded = floor(seconds * 1000 + 0.5);
    int64_t limit = (date_from_civil(9999, 12, 31) + INT64_C(1)) * (US_PER_DAY / 1000);
    bool fits = fabs(rounded) < (double)limit; /* false for NaN */
    *ms = fits ? (int64_t)rounded : 0;
    return fits;
}

/* from_unixtime(seconds [, zone | hours, minutes]) */
static Status kernel_from_unixtime(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t ms;
        int16_t zone = session_zone(call);
        if (!ms_of_seconds(KERNEL_ARG(call, 0, double, row), &ms))
            row_error(call, row, ERR_DATETIME_OVERFLOW);
        if (call->nargs == 2) {
            zone = zone_argument(call, row);
        } else if (call->nargs == 3) {
            int64_t hours = arg_int64(call, 1, row);
            int64_t minutes = arg_int64(call, 2, row);
            bool good = hours >= -14 && hours <= 14 && minutes >= -59 && minutes <= 59;
            int64_t total = good ? hours * 60 + minutes : 0;
            good = good && total >= -OFFSET_MOST && total <= OFFSET_MOST;
            if (!good) row_error(call, row, ERR_INVALID_ARGUMENT);
            zone = total == 0 || !good ? ZONE_UTC : (int16_t)(ZONE_OFFSET_BASE + total);
        }
        out[row] = (ZonedInstant){.us = ms * 1000, .zone = zone < 0 ? ZONE_UTC : zone};
    });
    return TRIB_OK;
}

/* Whole nanoseconds, decimals rounded half up. */
static Status kernel_from_unixtime_nanos(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    const Vector *v = &call->args[0];
    bool decimal = v->type.id == TRIB_TYPE_DECIMAL;
    int64_t limit = date_from_civil(9999, 12, 31) * US_PER_DAY;
    KERNEL_ROWS(call, row, {
        Int128 ns = decimal ? decimal_at(v, row) : (Int128)arg_int64(call, 0, row);
        if (decimal) (void)decimal_rescale(ns, v->type.scale, 0, &ns);
        Int128 us = ns / 1000 - (ns % 1000 < 0);
        int16_t rest = (int16_t)(ns - us * 1000);
        bool fits = us < limit && us > -limit;
        if (!fits) row_error(call, row, ERR_DATETIME_OVERFLOW);
        out[row] = (ZonedInstant){.us = fits ? (int64_t)us : 0,
                                  .zone = session_zone(call),
                                  .ns = fits ? rest : (int16_t)0};
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status resolve_with_timezone(Arena *arena, uint32_t nargs, Type *args, Type *result,
                                    Error *err) {
    *result = type_timestamp_tz(args[0].precision);
    return TRIB_OK;
}

#define ZONE_ROW(ID, SIGNATURE, STABILITY, RAISES, KERNEL, RESOLVE, HELP)                     \
    {                                                                                         \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .stability = STABILITY,      \
        .may_raise = RAISES, .kernel = KERNEL, .resolve = RESOLVE, .family = "date and time", \
        .help = HELP                                                                          \
    }
#define IMMUTABLE STABILITY_IMMUTABLE
#define STATEMENT STABILITY_STATEMENT

static const char help_from[] = "The moment that many seconds after 1970-01-01 00:00 UTC.";
static const char help_nanos[] = "The moment that many nanoseconds after 1970-01-01 00:00 UTC.";
static const char help_at[] = "The same moment on the clocks of another zone.";
static const char help_name[] = "The zone's name.";

static const Function rows[] = {
    ZONE_ROW(at_timezone, "timestamp with time zone, varchar -> *", IMMUTABLE, true,
             kernel_at_timezone, resolve_first, help_at),
    ZONE_ROW(at_timezone, "timestamp with time zone, interval day to second -> *", IMMUTABLE, true,
             kernel_at_timezone, resolve_first, help_at),
    ZONE_ROW(at_timezone, "time with time zone, varchar -> *", STATEMENT, true,
             kernel_time_at_timezone, resolve_first, help_at),
    ZONE_ROW(at_timezone, "time with time zone, interval day to second -> *", IMMUTABLE, true,
             kernel_time_at_timezone, resolve_first, help_at),
    ZONE_ROW(with_timezone, "timestamp, varchar -> *", IMMUTABLE, true, kernel_with_timezone,
             resolve_with_timezone, "The wall clock as that of a zone."),
    ZONE_ROW(timezone, "timestamp with time zone -> varchar", IMMUTABLE, false, kernel_timezone,
             NULL, help_name),
    ZONE_ROW(timezone, "time with time zone -> varchar", IMMUTABLE, false, kernel_timezone, NULL,
             help_name),
    ZONE_ROW(current_timezone, "-> varchar", STATEMENT, false, kernel_current_timezone, NULL,
             "The name of the session's zone."),
    ZONE_ROW(from_unixtime, "double -> timestamp(3) with time zone", STATEMENT, true,
             kernel_from_unixtime, NULL, help_from),
    ZONE_ROW(from_unixtime, "double, varchar -> timestamp(3) with time zone", IMMUTABLE, true,
             kernel_from_unixtime, NULL, help_from),
    ZONE_ROW(from_unixtime, "double, bigint, bigint -> timestamp(3) with time zone", IMMUTABLE,
             true, kernel_from_unixtime, NULL, help_from),
    ZONE_ROW(from_unixtime_nanos, "bigint -> timestamp(9) with time zone", STATEMENT, true,
             kernel_from_unixtime_nanos, NULL, help_nanos),
    ZONE_ROW(from_unixtime_nanos, "decimal -> timestamp(9) with time zone", STATEMENT, true,
             kernel_from_unixtime_nanos, NULL, help_nanos),
};

FUNCTION_TABLE(functions_datetime_zone, rows);
