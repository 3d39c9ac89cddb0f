/*
 * session.c - rows and kernels that tell about the session: time, user, names, types.
 *
 * The current time is one instant per statement.
 */
#include "engine/functions/helpers.h"
#include "engine/kernels/moment.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

static ZonedInstant session_now(const KernelCall *call) {
    if (call->session == NULL) return (ZonedInstant){0};
    return (ZonedInstant){.us = call->session->now_us, .zone = call->session->zone};
}

/* The result of a row from the current moment: its type says which part, with how many digits. */
static Status kernel_now(KernelCall *call) {
    ZonedInstant now = session_now(call);
    int64_t unit = 1; /* us of the last digit; the clock has no finer ones */
    for (int digits = call->result_type.precision; digits < 6; digits++) unit *= 10;
    now.us = floor_div(now.us, unit) * unit;
    Moment m = {.us = now.us + zone_offset_at(now.zone, now.us) * US_PER_SECOND,
                .has_zone = true,
                .zone = now.zone};
    KERNEL_ROWS(call, row, {
        if (call->result->physical == PHYS_ZONED) {
            ((ZonedInstant *)call->result->data)[row] = now;
        } else if (call->result->physical == PHYS_TIMETZ) {
            int64_t ns = floor_mod(m.us, US_PER_DAY) * 1000;
            int32_t offset = zone_offset_at(now.zone, now.us);
            ((TimeTz *)call->result->data)[row] = (TimeTz){.ns = ns, .offset = offset};
        } else {
            moment_put(call->result, row, m);
        }
    });
    return TRIB_OK;
}

static Status put_all(KernelCall *call, Str text) {
    KERNEL_ROWS(call, row, { TRY(kernel_put_text(call, row, text.data, text.len)); });
    return TRIB_OK;
}

static Status kernel_session_name(KernelCall *call) {
    Str text = {"", 0};
    if (call->session != NULL) {
        switch (call->function->id) {
        case TRIB_FN_current_user: text = call->session->user; break;
        case TRIB_FN_current_catalog: text = call->session->catalog; break;
        default: text = call->session->schema; break;
        }
    }
    if (text.data != NULL && text.len > 0) return put_all(call, text);
    KERNEL_ROWS(call, row, { TRY(kernel_set_null(call, row)); });
    return TRIB_OK;
}

static Status kernel_version(KernelCall *call) {
    return put_all(call, STR("Tributary " PACKAGE_VERSION));
}

static Status kernel_typeof(KernelCall *call) {
    Buf text;
    buf_init(&text, call->arena, UINT32_MAX);
    type_print(&text, call->args[0].type);
    TRY(buf_status(&text, call->err));
    return put_all(call, buf_view(&text));
}

#define SESSION(ID, ALIASES, SIGNATURE, KERNEL, FAMILY, HELP)                              \
    {                                                                                      \
        .id = TRIB_FN_##ID, .name = #ID, .aliases = ALIASES, .signature = SIGNATURE,       \
        .stability = STABILITY_STATEMENT, .kernel = KERNEL, .family = FAMILY, .help = HELP \
    }
#define TIME_FAMILY    "date and time"
#define SESSION_FAMILY "session"

static const Function rows[] = {
    SESSION(current_date, "curdate", "-> date", kernel_now, TIME_FAMILY,
            "Today in the session's zone."),
    SESSION(current_time, "curtime", "-> time(3) with time zone", kernel_now, TIME_FAMILY,
            "The time of day with the session's zone."),
    SESSION(current_timestamp, "now", "-> timestamp(3) with time zone", kernel_now, TIME_FAMILY,
            "The moment at which the statement started."),
    SESSION(localtime, NULL, "-> time(3)", kernel_now, TIME_FAMILY,
            "The time of day in the session's zone."),
    SESSION(localtimestamp, NULL, "-> timestamp(3)", kernel_now, TIME_FAMILY,
            "Date and time in the session's zone."),
    SESSION(current_user, NULL, "-> varchar", kernel_session_name, SESSION_FAMILY,
            "The user of the session."),
    SESSION(current_catalog, NULL, "-> varchar", kernel_session_name, SESSION_FAMILY,
            "The session's catalog; NULL if none is chosen."),
    SESSION(current_schema, NULL, "-> varchar", kernel_session_name, SESSION_FAMILY,
            "The session's schema; NULL if none is chosen."),
    SESSION(version, NULL, "-> varchar", kernel_version, SESSION_FAMILY, "The product's version."),
    {.id = TRIB_FN_typeof,
     .name = "typeof",
     .signature = "E -> varchar",
     .nulls = NULLS_CALLED,
     .kernel = kernel_typeof,
     .family = SESSION_FAMILY,
     .help = "The name of the argument's type."},
};

FUNCTION_TABLE(functions_session, rows);
