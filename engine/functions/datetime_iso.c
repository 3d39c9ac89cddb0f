/*
 * datetime_iso.c - rows and kernels of dates and times in ISO 8601's spelling.
 *
 * Dates are of months (2020-05-11), of weeks (2020-W20-1) or of days of the year (2020-132), the smaller parts
 * may be missing; so may those of times. Which forms are read is what Joda-Time's parsers read.
 */
#include "engine/functions/helpers.h"
#include "engine/kernels/moment.h"

typedef struct Reader {
    const char *at, *end;
} Reader;

/* Exactly `count` digits. */
static bool read_digits(Reader *r, int count, int32_t *out) {
    if (r->end - r->at < count) return false;
    *out = 0;
    for (int i = 0; i < count; i++) {
        char c = r->at[i];
        if (c < '0' || c > '9') return false;
        *out = *out * 10 + (c - '0');
    }
    r->at += count;
    return true;
}

static bool here(const Reader *r, char c) {
    return r->at < r->end && *r->at == c;
}

static bool accept(Reader *r, char c) {
    if (!here(r, c)) return false;
    r->at++;
    return true;
}

static int digits_here(const Reader *r) {
    int count = 0;
    while (r->at + count < r->end && r->at[count] >= '0' && r->at[count] <= '9') count++;
    return count;
}

/* [+-]YYYY.. */
static bool read_year(Reader *r, int32_t *out) {
    bool negative = here(r, '-');
    if (negative || here(r, '+')) r->at++;
    int digits = digits_here(r);
    if (digits < 1 || digits > 6 || !read_digits(r, digits, out)) return false;
    if (negative) *out = -*out;
    return *out >= -9999 && *out <= 9999;
}

static bool read_week_date(Reader *r, int32_t year, int32_t *days) {
    int32_t week, day = 1, found, found_week;
    if (!read_digits(r, digits_here(r) < 2 ? 1 : 2, &week) || week < 1) return false;
    if (accept(r, '-') && (!read_digits(r, 1, &day) || day < 1 || day > 7)) return false;
    int32_t fourth = date_from_civil(year, 1, 4);
    int32_t monday = fourth - (date_day_of_week(fourth) - 1) + (week - 1) * 7;
    date_iso_week(monday, &found, &found_week);
    *days = monday + day - 1;
    return found == year;
}

static bool read_date(Reader *r, int32_t *days) {
    int32_t year, month = 1, day = 1;
    if (!read_year(r, &year)) return false;
    if (accept(r, '-')) {
        if (accept(r, 'W')) return read_week_date(r, year, days);
        int digits = digits_here(r);
        if (digits == 3) {
            if (!read_digits(r, 3, &day) || day < 1) return false;
            *days = date_from_civil(year, 1, 1) + day - 1;
            return date_to_civil(*days).year == year;
        }
        if (digits < 1 || digits > 2 || !read_digits(r, digits, &month)) return false;
        if (accept(r, '-')) {
            digits = digits_here(r);
            if (digits < 1 || digits > 2 || !read_digits(r, digits, &day)) return false;
        }
    }
    if (!date_valid(year, (uint32_t)month, (uint32_t)day)) return false;
    *days = date_from_civil(year, (uint32_t)month, (uint32_t)day);
    return true;
}

/* ",5" of a unit: nanoseconds of the day; digits that no nanosecond has are cut. */
static bool read_fraction(Reader *r, int64_t unit_ns, int64_t *ns) {
    Int128 value = 0, scale = 1;
    if (digits_here(r) == 0) return false;
    while (digits_here(r) > 0) {
        if (scale < decimal_powers[18]) {
            value = value * 10 + (*r->at - '0');
            scale *= 10;
        }
        r->at++;
    }
    *ns += (int64_t)(value * unit_ns / scale);
    return true;
}

/* HH[:mm[:ss]], a fraction behind the smallest part; nanoseconds since midnight. */
static bool read_time(Reader *r, int64_t *ns) {
    static const int64_t units[] = {3600 * NS_PER_SECOND, 60 * NS_PER_SECOND, NS_PER_SECOND};
    static const int32_t most[] = {23, 59, 59};
    *ns = 0;
    for (int i = 0; i < 3; i++) {
        int32_t value;
        int digits = digits_here(r);
        if (digits < 1 || digits > 2 || !read_digits(r, digits, &value) || value > most[i])
            return false;
        *ns += value * units[i];
        if (here(r, '.') || here(r, ',')) {
            r->at++;
            return read_fraction(r, units[i], ns);
        }
        if (i < 2 && !accept(r, ':')) return true;
    }
    return true;
}

/* "Z", "+HH", "+HH:mm", "+HHmm"; *zone stays if there is none. */
static bool read_offset(Reader *r, int16_t *zone) {
    int32_t hours, minutes = 0;
    if (accept(r, 'Z') || accept(r, 'z')) {
        *zone = ZONE_UTC;
        return true;
    }
    if (!here(r, '+') && !here(r, '-')) return true;
    bool negative = *r->at++ == '-';
    if (!read_digits(r, 2, &hours)) return false;
    if ((accept(r, ':') || digits_here(r) == 2) && !read_digits(r, 2, &minutes)) return false;
    int32_t total = hours * 60 + minutes;
    if (minutes > 59 || total > 14 * 60) return false;
    *zone = total == 0 ? ZONE_UTC : (int16_t)(ZONE_OFFSET_BASE + (negative ? -total : total));
    return true;
}

/* date [T [time] [offset]] or T time [offset]; *zone is replaced by the offset. */
static bool read_timestamp(Str text, int32_t *days, int64_t *ns, int16_t *zone) {
    Reader r = {text.data, text.data + text.len};
    *days = 0;
    *ns = 0;
    bool dated = !here(&r, 'T');
    if (dated && !read_date(&r, days)) return false;
    if (accept(&r, 'T')) {
        bool time = digits_here(&r) > 0;
        if (!time && !dated) return false;
        if (time && !read_time(&r, ns)) return false;
        if (!read_offset(&r, zone)) return false;
    }
    return r.at == r.end;
}

/* ---------------------------------------------------------------- kernels */

static Status kernel_from_iso8601_date(KernelCall *call) {
    int32_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        Str text = arg_text(call, 0, row);
        Reader r = {text.data, text.data + text.len};
        if (!read_date(&r, &out[row]) || r.at != r.end) {
            out[row] = 0;
            row_error(call, row, ERR_DATETIME_FORMAT);
        }
    });
    return TRIB_OK;
}

/* To the precision of the result's type, cut. */
static Status kernel_from_iso8601_timestamp(KernelCall *call) {
    int16_t session_zone = call->session != NULL ? call->session->zone : ZONE_UTC;
    bool nanos = call->result_type.precision == 9;
    KERNEL_ROWS(call, row, {
        int32_t days = 0;
        int64_t ns = 0;
        int16_t zone = session_zone;
        bool good = read_timestamp(arg_text(call, 0, row), &days, &ns, &zone);
        if (!nanos) ns = ns / 1000000 * 1000000;
        int64_t local = days * US_PER_DAY + ns / 1000;
        int64_t utc = zone_local_to_utc(zone, local);
        /* a time that the clocks of the zone skip is none */
        good = good && utc + zone_offset_at(zone, utc) * US_PER_SECOND == local;
        if (!good) row_error(call, row, ERR_DATETIME_FORMAT);
        ((ZonedInstant *)call->result->data)[row] = (ZonedInstant){
            .us = good ? utc : 0, .zone = zone, .ns = (int16_t)(good ? ns % 1000 : 0)};
    });
    return TRIB_OK;
}

static size_t put_offset(char *out, int32_t seconds) {
    if (seconds == 0) {
        out[0] = 'Z';
        return 1;
    }
    int32_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
    return (size_t)text_format(out, 8, "%c%02d:%02d", seconds < 0 ? '-' : '+', minutes / 60,
                               minutes % 60);
}

static Status kernel_to_iso8601(KernelCall *call) {
    const Vector *v = &call->args[0];
    int precision = v->type.precision;
    KERNEL_ROWS(call, row, {
        char out[CALENDAR_TEXT_MAX + 8];
        size_t len;
        Moment m = moment_at(v, row);
        if (v->type.id == TRIB_TYPE_DATE) {
            len = date_format_iso(moment_days(m), out);
        } else {
            len = timestamp_format_iso(m.us, m.ns, precision, out);
            char *blank = memchr(out, ' ', len);
            if (blank != NULL) *blank = 'T';
        }
        if (v->physical == PHYS_ZONED) {
            ZonedInstant t = KERNEL_ARG(call, 0, ZonedInstant, row);
            len += put_offset(out + len, zone_offset_at(t.zone, t.us));
        }
        TRY(kernel_put_text(call, row, out, len));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define ISO(ID, SIGNATURE, RAISES, STABILITY, KERNEL, HELP)                               \
    {                                                                                     \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES,     \
        .stability = STABILITY, .kernel = KERNEL, .family = "date and time", .help = HELP \
    }

static const char help_write[] = "The date or timestamp in ISO 8601's spelling.";

static const Function rows[] = {
    ISO(from_iso8601_date, "varchar -> date", true, STABILITY_IMMUTABLE, kernel_from_iso8601_date,
        "The date that a text of ISO 8601 gives, by months, weeks or days of the year."),
    ISO(from_iso8601_timestamp, "varchar -> timestamp(3) with time zone", true, STABILITY_STATEMENT,
        kernel_from_iso8601_timestamp,
        "The timestamp that a text of ISO 8601 gives; without an offset in the session's zone."),
    ISO(from_iso8601_timestamp_nanos, "varchar -> timestamp(9) with time zone", true,
        STABILITY_STATEMENT, kernel_from_iso8601_timestamp, "The same with nanoseconds."),
    ISO(to_iso8601, "date -> varchar", false, STABILITY_IMMUTABLE, kernel_to_iso8601, help_write),
    ISO(to_iso8601, "timestamp -> varchar", false, STABILITY_IMMUTABLE, kernel_to_iso8601,
        help_write),
    ISO(to_iso8601, "timestamp with time zone -> varchar", false, STABILITY_IMMUTABLE,
        kernel_to_iso8601, help_write),
};

FUNCTION_TABLE(functions_datetime_iso, rows);
