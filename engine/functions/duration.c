/*
 * duration.c - rows and kernels of lengths of time: "42.8ms", "1 hour, 2 minutes", milliseconds.
 */
#include "engine/functions/helpers.h"

#include "engine/base/calendar.h"
#include "engine/base/number.h"

#include <math.h>

/* ---------------------------------------------------------------- parse_duration */

/* "42.8ms": a decimal number and a unit; milliseconds, rounded half up. */
static bool duration_parse(Str text, int64_t *ms) {
    static const struct {
        const char *unit;
        double ms;
    } units[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1},   {"s", 1e3},
                 {"m", 6e4},   {"h", 36e5},  {"d", 864e5}};
    double value;
    size_t len = 0;
    text = str_trim(text);
    while (len < text.len &&
           ((text.data[len] >= '0' && text.data[len] <= '9') || text.data[len] == '.'))
        len++;
    Str number = {text.data, len};
    Str unit = str_trim((Str){text.data + len, text.len - len});
    if (len == 0 || number.data[0] == '.' || number.data[len - 1] == '.' ||
        double_parse(number, &value) != NUMBER_OK)
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (!str_equal(unit, str_from(units[i].unit))) continue;
        double rounded = floor(value * units[i].ms + 0.5);
        if (!(rounded < 9e15)) return false;
        *ms = (int64_t)rounded;
        return true;
    }
    return false;
}

static Status kernel_parse_duration(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t ms = 0;
        if (!duration_parse(arg_text(call, 0, row), &ms))
            row_error(call, row, ERR_INVALID_ARGUMENT);
        out[row] = ms * 1000;
    });
    return TRIB_OK;
}

static Status kernel_to_milliseconds(KernelCall *call) {
    int64_t *out = call->result->data;
    KERNEL_ROWS(call, row, { out[row] = arg_int64(call, 0, row) / 1000; });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- human_readable_seconds */

static void append_unit(Buf *out, int64_t count, const char *unit) {
    if (count == 0) return;
    if (out->len > 0) buf_text(out, ", ");
    buf_printf(out, "%lld %s%s", (long long)count, unit, count == 1 ? "" : "s");
}

static Status kernel_human_readable_seconds(KernelCall *call) {
    Buf text;
    kernel_buf_init(call, &text);
    KERNEL_ROWS(call, row, {
        double value = KERNEL_ARG(call, 0, double, row);
        if (!(fabs(value) < 9e18)) {
            row_error(call, row, ERR_INVALID_ARGUMENT);
            continue;
        }
        int64_t seconds = (int64_t)llround(fabs(value));
        kernel_buf_reset(&text);
        append_unit(&text, seconds / (7 * 86400), "week");
        append_unit(&text, seconds / 86400 % 7, "day");
        append_unit(&text, seconds / 3600 % 24, "hour");
        append_unit(&text, seconds / 60 % 60, "minute");
        append_unit(&text, seconds % 60, "second");
        if (text.len == 0) buf_text(&text, "0 seconds");
        TRY(kernel_put_buf(call, row, &text));
    });
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define DURATION(ID, SIGNATURE, RAISES, HELP)                                         \
    {                                                                                 \
        .id = TRIB_FN_##ID, .name = #ID, .signature = SIGNATURE, .may_raise = RAISES, \
        .kernel = kernel_##ID, .family = "date and time", .help = HELP                \
    }

static const Function rows[] = {
    DURATION(parse_duration, "varchar -> interval day to second", true,
             "The interval that a number and a unit (ns, us, ms, s, m, h, d) give."),
    DURATION(to_milliseconds, "interval day to second -> bigint", false,
             "The interval in milliseconds."),
    DURATION(human_readable_seconds, "double -> varchar", true,
             "Seconds as weeks, days, hours, minutes and seconds."),
};

FUNCTION_TABLE(functions_duration, rows);
