/*
 * datetime_format.c - rows and kernels that write and read dates and times after patterns: date_format and
 * date_parse (MySQL's), format_datetime and parse_datetime (Joda's).
 */
#include "engine/functions/datetime_pattern.h"

/* The pattern of the rows, compiled again when it changes. */
typedef struct PatternCache {
    Str last;
    Pattern pattern;
    bool known, good;
} PatternCache;

static int32_t year_now(const KernelCall *call) {
    int64_t us = call->session != NULL ? call->session->now_us : 0;
    return date_to_civil((int32_t)floor_div(us, US_PER_DAY)).year;
}

/* NULL with the row's error if it is none. */
static Status pattern_at(PatternCache *self, KernelCall *call, uint32_t row, bool joda,
                         const Pattern **out) {
    Str text = strview_str(&KERNEL_ARG(call, 1, StrView, row));
    *out = NULL;
    if (!self->known || !str_equal(text, self->last)) {
        Arena *arena = call->arena;
        if (joda) {
            TRY(pattern_joda(arena, text, year_now(call), &self->pattern, &self->good, call->err));
        } else {
            TRY(pattern_mysql(arena, text, &self->pattern, &self->good, call->err));
        }
        self->last = text;
        self->known = true;
    }
    if (self->good) {
        *out = &self->pattern;
    } else {
        KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                    "the pattern has a letter that stands for nothing here");
    }
    return TRIB_OK;
}

static Status write_rows(KernelCall *call, bool joda) {
    PatternCache cache = {0};
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        const Pattern *pattern;
        TRY(pattern_at(&cache, call, row, joda, &pattern));
        if (pattern == NULL) continue;
        kernel_buf_reset(&text);
        if (pattern_write(pattern, moment_at(&call->args[0], row), &text)) {
            TRY(kernel_put_buf(call, row, &text));
        } else {
            KERNEL_FAIL(call, row, ERR_INVALID_ARGUMENT,
                        "the pattern asks for a time zone, the value has none");
        }
    });
    return TRIB_OK;
}

static Status kernel_date_format(KernelCall *call) {
    return write_rows(call, false);
}

static Status kernel_format_datetime(KernelCall *call) {
    return write_rows(call, true);
}

/* Results have milliseconds: what is finer is cut. */
static Status kernel_date_parse(KernelCall *call) {
    PatternCache cache = {0};
    KERNEL_ROWS(call, row, {
        const Pattern *pattern;
        Moment m = {0};
        TRY(pattern_at(&cache, call, row, false, &pattern));
        if (pattern == NULL) continue;
        if (pattern_read(pattern, arg_text(call, 0, row), &m)) {
            m = (Moment){.us = floor_div(m.us, 1000) * 1000};
        } else {
            KERNEL_FAIL(call, row, ERR_DATETIME_FORMAT, "the text does not match the pattern");
        }
        moment_put(call->result, row, m);
    });
    return TRIB_OK;
}

/* Without a zone in the text the session's; a time of day that its clocks skip is an error. */
static Status kernel_parse_datetime(KernelCall *call) {
    PatternCache cache = {0};
    int16_t session_zone = call->session != NULL ? call->session->zone : ZONE_UTC;
    KERNEL_ROWS(call, row, {
        const Pattern *pattern;
        Moment m = {0};
        TRY(pattern_at(&cache, call, row, true, &pattern));
        if (pattern == NULL) continue;
        bool good = pattern_read(pattern, arg_text(call, 0, row), &m);
        int16_t zone = good && m.has_zone ? m.zone : session_zone;
        int64_t local = floor_div(m.us, 1000) * 1000;
        int64_t utc = zone_local_to_utc(zone, local);
        good = good && utc + zone_offset_at(zone, utc) * US_PER_SECOND == local;
        if (!good) row_error(call, row, ERR_DATETIME_FORMAT);
        ((ZonedInstant *)call->result->data)[row] =
            (ZonedInstant){.us = good ? utc : 0, .zone = zone};
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define FORMAT(ID, SIGNATURE, STABILITY, HELP)                                                 \
    {                                                                                          \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = true,            \
        .stability = STABILITY, .kernel = kernel_##ID, .family = "date and time", .help = HELP \
    }

static const char help_format[] = "As text after a pattern of %Y, %m, %d, %H, %i, %s and others.";
static const char help_joda[] = "As text after a pattern of yyyy, MM, dd, HH, mm, ss and others.";

static const Function rows[] = {
    FORMAT(date_format, "timestamp, varchar -> varchar", STABILITY_IMMUTABLE, help_format),
    FORMAT(date_format, "timestamp with time zone, varchar -> varchar", STABILITY_IMMUTABLE,
           help_format),
    FORMAT(date_parse, "varchar, varchar -> timestamp(3)", STABILITY_IMMUTABLE,
           "The timestamp that a text gives after a pattern of %Y, %m, %d and others."),
    FORMAT(format_datetime, "timestamp, varchar -> varchar", STABILITY_IMMUTABLE, help_joda),
    FORMAT(format_datetime, "timestamp with time zone, varchar -> varchar", STABILITY_IMMUTABLE,
           help_joda),
    FORMAT(parse_datetime, "varchar, varchar -> timestamp(3) with time zone", STABILITY_STATEMENT,
           "The timestamp that a text gives after a pattern of yyyy, MM, dd and others."),
};

FUNCTION_TABLE(functions_datetime_format, rows);
