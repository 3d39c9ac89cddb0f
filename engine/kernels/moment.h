/*
 * moment.h - dates, times and timestamps of every type as one wall clock, for kernels that take any.
 */
#ifndef TRIB_KERNELS_MOMENT_H
#define TRIB_KERNELS_MOMENT_H

#include "engine/base/calendar.h"
#include "engine/kernels/kernel.h"

#define NS_PER_SECOND INT64_C(1000000000)

/* us since 1970-01-01 00:00 of a wall clock, 0..999 ns more; where the clock stands, if the type says. */
typedef struct Moment {
    int64_t us;
    int32_t ns;
    bool has_zone;
    int16_t zone;
} Moment;

static inline int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}
static inline int64_t floor_mod(int64_t a, int64_t b) {
    int64_t rest = a % b;
    return rest < 0 ? rest + b : rest;
}

/* Times of day are on 1970-01-01. v is FLAT or CONSTANT. */
static inline Moment moment_at(const Vector *v, uint32_t row) {
    Moment m = {0};
    if (v->form == VECTOR_CONSTANT) row = 0;
    switch (v->type.id) {
    case TRIB_TYPE_DATE: /* unsigned: a NULL row may hold anything */
        m.us = (int64_t)((uint64_t)(int64_t)((const int32_t *)v->data)[row] * (uint64_t)US_PER_DAY);
        break;
    case TRIB_TYPE_TIME: {
        int64_t ns = ((const int64_t *)v->data)[row];
        m.us = floor_div(ns, 1000);
        m.ns = (int32_t)floor_mod(ns, 1000);
        break;
    }
    case TRIB_TYPE_TIME_TZ: {
        TimeTz t = ((const TimeTz *)v->data)[row];
        m.us = floor_div(t.ns, 1000);
        m.ns = (int32_t)floor_mod(t.ns, 1000);
        m.has_zone = true;
        m.zone = (int16_t)(ZONE_OFFSET_BASE + t.offset / 60);
        break;
    }
    case TRIB_TYPE_TIMESTAMP:
        if (v->physical == PHYS_INT64) {
            m.us = ((const int64_t *)v->data)[row];
        } else {
            m.us = ((const Instant *)v->data)[row].us;
            m.ns = ((const Instant *)v->data)[row].ns;
        }
        break;
    default: {
        ZonedInstant t = ((const ZonedInstant *)v->data)[row];
        m.us = t.us + zone_offset_at(t.zone, t.us) * US_PER_SECOND;
        m.ns = t.ns;
        m.has_zone = true;
        m.zone = t.zone;
    }
    }
    return m;
}

/* Stores a wall clock; zoned types need m.zone. The fraction must fit the type's precision. */
static inline void moment_put(Vector *v, uint32_t row, Moment m) {
    int64_t ns_of_day = floor_mod(m.us, US_PER_DAY) * 1000 + m.ns;
    switch (v->type.id) {
    case TRIB_TYPE_DATE: ((int32_t *)v->data)[row] = (int32_t)floor_div(m.us, US_PER_DAY); return;
    case TRIB_TYPE_TIME: ((int64_t *)v->data)[row] = ns_of_day; return;
    case TRIB_TYPE_TIME_TZ: {
        int32_t offset = zone_offset_at(m.zone, zone_local_to_utc(m.zone, m.us));
        ((TimeTz *)v->data)[row] = (TimeTz){.ns = ns_of_day, .offset = offset};
        return;
    }
    case TRIB_TYPE_TIMESTAMP:
        if (v->physical == PHYS_INT64) {
            ((int64_t *)v->data)[row] = m.us;
        } else {
            ((Instant *)v->data)[row] = (Instant){.us = m.us, .ns = m.ns};
        }
        return;
    default:
        ((ZonedInstant *)v->data)[row] = (ZonedInstant){
            .us = zone_local_to_utc(m.zone, m.us), .zone = m.zone, .ns = (int16_t)m.ns};
    }
}

/* Days of a wall clock. */
static inline int32_t moment_days(Moment m) {
    return (int32_t)floor_div(m.us, US_PER_DAY);
}

#endif
