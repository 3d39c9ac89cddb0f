/*
 * calendar.h - the proleptic Gregorian calendar, times of day, time zones.
 *
 * date: int32 days since 1970-01-01. time: int64 ns since midnight. timestamp: int64 us since
 * 1970-01-01 00:00 (plus 0..999 ns where more than six digits are kept). Years -9999..9999.
 * Zones are read from the system's TZif v2+ files (RFC 8536); ids are per process: 0 = UTC, fixed
 * offsets in minutes are ZONE_OFFSET_BASE + minutes, named zones count up from 1.
 */
#ifndef TRIB_BASE_CALENDAR_H
#define TRIB_BASE_CALENDAR_H

#include "engine/base/text.h"

#define US_PER_SECOND     INT64_C(1000000)
#define US_PER_DAY        INT64_C(86400000000)
#define NS_PER_DAY        INT64_C(86400000000000)
#define CALENDAR_TEXT_MAX 96
#define ZONE_UTC          0
#define ZONE_OFFSET_BASE  20000 /* ids 20000-840 .. 20000+840 are fixed offsets */

typedef struct CivilDate {
    int32_t year;
    uint8_t month, day;
} CivilDate;

typedef struct CivilTime {
    uint8_t hour, minute, second;
    int32_t ns;
} CivilTime;

int32_t date_from_civil(int32_t year, uint32_t month, uint32_t day); /* must be valid */
CivilDate date_to_civil(int32_t days);
bool date_valid(int32_t year, uint32_t month, uint32_t day);
uint32_t date_days_in_month(int32_t year, uint32_t month);
int32_t date_add_months(int32_t days, int64_t months,
                        bool *overflow); /* day clamped to the month's end */
int date_day_of_week(int32_t days);      /* ISO: 1 = Monday .. 7 */
int date_day_of_year(int32_t days);      /* 1..366 */
void date_iso_week(int32_t days, int32_t *year, int32_t *week);
CivilTime time_to_civil(int64_t ns);

/* Parsers read the whole text, surrounding blanks allowed; false on anything else.
 * Year: four digits, optional sign; month, day and hour: one or two. time: digits beyond nine round
 * half up, midnight wraps.
 * timestamp: "YYYY-MM-DD[( |T)HH:MM[:SS[.fffffffff]]][ zone]"; *zone = -1 if none stands there.
 * Digits beyond `precision` round half up. *us is the wall clock as written, also where a zone
 * stands: zone_local_to_utc makes an instant of it. */
bool date_parse(Str text, int32_t *days);
bool time_parse(Str text, int64_t *ns);
bool timestamp_parse(Str text, int precision, int64_t *us, int32_t *ns, int16_t *zone);
/* Formatters return the length; NUL-terminated; `precision` fraction digits. */
size_t date_format_iso(int32_t days, char out[CALENDAR_TEXT_MAX]);
size_t time_format_iso(int64_t ns, int precision, char out[CALENDAR_TEXT_MAX]);
size_t timestamp_format_iso(int64_t us, int32_t ns, int precision, char out[CALENDAR_TEXT_MAX]);
/* Local time plus the zone's name: "2024-01-01 00:00:00.000 Europe/Berlin". */
size_t timestamp_tz_format(int64_t utc_us, int32_t ns, int16_t zone, int precision,
                           char out[CALENDAR_TEXT_MAX]);
/* Trino's forms: "1-6" (years-months), "2 03:04:05.678". */
size_t interval_ym_format(int32_t months, char out[CALENDAR_TEXT_MAX]);
size_t interval_ds_format(int64_t us, char out[CALENDAR_TEXT_MAX]);

/* The id of "UTC", "Z", "+02:00", "Europe/Berlin" ...; -1 if unknown. Thread-safe; loads on first
 * use. */
int16_t zone_lookup(Str name);
/* The same with an error (22023) that says whether the name or the system's zone data is
 * missing. */
Status zone_resolve(Str name, int16_t *zone, Error *err) WARN_UNUSED;
const char *zone_name(int16_t zone);                  /* lives as long as the process */
int32_t zone_offset_at(int16_t zone, int64_t utc_us); /* seconds east of UTC */
/* Local wall clock to UTC; a gap moves forward by its length, the earlier of two is taken (Java's
 * rule). */
int64_t zone_local_to_utc(int16_t zone, int64_t local_us);

#endif
