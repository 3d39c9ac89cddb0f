/*
 * cast_datetime.c - casts among dates, times and timestamps, with and without zones.
 *
 * A value is read as a Moment, a wall clock with its zone, from which every target can be built. Values without a zone are in the session's. Fewer
 * fractional digits round half up.
 */
#include "engine/kernels/loop.h"
#include "engine/kernels/cast.h"
#include "engine/kernels/moment.h"

static int64_t power_of_ten(int n) {
    return (int64_t)decimal_powers[n];
}

/* us + ns to `precision` digits, half up. */
static void moment_round(Moment *m, int precision) {
    if (precision >= 9) return;
    if (precision > 6) {
        int32_t unit = (int32_t)power_of_ten(9 - precision);
        m->ns = (m->ns + unit / 2) / unit * unit;
        m->us += m->ns / 1000;
        m->ns %= 1000;
        return;
    }
    if (precision == 6) {
        m->us += m->ns >= 500;
    } else {
        int64_t unit = power_of_ten(6 - precision);
        m->us = floor_div(m->us + unit / 2, unit) * unit;
    }
    m->ns = 0;
}

static int64_t session_today(const EvalSession *session) {
    if (session == NULL) return 0;
    int64_t local =
        session->now_us + zone_offset_at(session->zone, session->now_us) * US_PER_SECOND;
    return floor_div(local, US_PER_DAY) * US_PER_DAY;
}

static int16_t session_zone(const EvalSession *session) {
    return session != NULL ? session->zone : ZONE_UTC;
}

/* A time of day is read on the session's current day. */
static Moment moment_read(const KernelCall *call, uint32_t row) {
    const Vector *v = &call->args[0];
    Moment m = moment_at(v, row);
    if (v->type.id == TRIB_TYPE_TIME || v->type.id == TRIB_TYPE_TIME_TZ) {
        m.us += session_today(call->session);
    }
    return m;
}

static void moment_write(KernelCall *call, uint32_t row, Moment m) {
    if (!m.has_zone) m.zone = session_zone(call->session);
    if (call->result_type.id != TRIB_TYPE_DATE) moment_round(&m, call->result_type.precision);
    moment_put(call->result, row, m);
}

static Status moment_cast(KernelCall *call) {
    KERNEL_ROWS(call, row, { moment_write(call, row, moment_read(call, row)); });
    return TRIB_OK;
}

/* A zoned instant keeps its moment exactly, also in the hour that a clock shows twice. */
static Status zoned_round(KernelCall *call) {
    ZonedInstant *out = call->result->data;
    KERNEL_ROWS(call, row, {
        ZonedInstant t = KERNEL_ARG(call, 0, ZonedInstant, row);
        Moment m = {.us = t.us, .ns = t.ns};
        moment_round(&m, call->result_type.precision);
        out[row] = (ZonedInstant){.us = m.us, .zone = t.zone, .ns = (int16_t)m.ns};
    });
    return TRIB_OK;
}

/* Times of day round within the day. */
static Status time_round(KernelCall *call) {
    int64_t unit = power_of_ten(9 - call->result_type.precision);
    bool zoned = call->args[0].type.id == TRIB_TYPE_TIME_TZ;
    KERNEL_ROWS(call, row, {
        TimeTz t = {0};
        if (zoned) {
            t = KERNEL_ARG(call, 0, TimeTz, row);
        } else {
            t.ns = KERNEL_ARG(call, 0, int64_t, row);
        }
        t.ns = floor_mod((t.ns + unit / 2) / unit * unit, NS_PER_DAY);
        if (zoned) {
            ((TimeTz *)call->result->data)[row] = t;
        } else {
            ((int64_t *)call->result->data)[row] = t.ns;
        }
    });
    return TRIB_OK;
}

KERNEL_CLONES static Status date_to_timestamp(KernelCall *call) {
    LOOP_UNARY(call, int32_t, int64_t, int64_t r = (int64_t)x * US_PER_DAY;);
    return TRIB_OK;
}

static Status timestamp_to_date(KernelCall *call) {
    LOOP_UNARY(call, int64_t, int32_t, int32_t r = (int32_t)floor_div(x, US_PER_DAY););
    return TRIB_OK;
}

Kernel cast_datetime_kernel(Type from, Type to) {
    if (from.id == to.id) {
        if (to.id == TRIB_TYPE_TIMESTAMP_TZ) return zoned_round;
        if (to.id == TRIB_TYPE_TIME || to.id == TRIB_TYPE_TIME_TZ) return time_round;
        return moment_cast;
    }
    bool micro = type_physical(to) == PHYS_INT64 && to.id == TRIB_TYPE_TIMESTAMP;
    if (from.id == TRIB_TYPE_DATE && micro) return date_to_timestamp;
    if (to.id == TRIB_TYPE_DATE && type_physical(from) == PHYS_INT64 &&
        from.id == TRIB_TYPE_TIMESTAMP) {
        return timestamp_to_date;
    }
    return moment_cast;
}
