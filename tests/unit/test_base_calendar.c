/*
 * test_base_calendar.c - dates, times, timestamps, intervals and time zones.
 *
 * Zone cases name rules that tzdata has held for years; without tzdata they are skipped. Zone files
 * that lie are written to a folder of their own.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test_base.h"

#include "engine/base/calendar.h"

#define AT(y, mo, d, h, mi, s)                         \
    ((int64_t)date_from_civil(y, mo, d) * US_PER_DAY + \
     ((int64_t)(h)*3600 + (mi)*60 + (s)) * US_PER_SECOND)

/* ---------------------------------------------------------------- dates */

static void every_day(void **state) {
    int32_t day = date_from_civil(-9999, 1, 1);
    int weekday = date_day_of_week(day);
    for (int32_t year = -9999; year <= 9999; year++) {
        int32_t first = day;
        for (uint32_t month = 1; month <= 12; month++) {
            for (uint32_t d = 1; d <= date_days_in_month(year, month); d++, day++) {
                CivilDate civil = date_to_civil(day);
                if (date_from_civil(year, month, d) != day || civil.year != year ||
                    civil.month != month || civil.day != d || date_day_of_week(day) != weekday ||
                    date_day_of_year(day) != day - first + 1)
                    fail_msg("%d-%u-%u", year, month, d);
                weekday = weekday % 7 + 1;
            }
        }
    }
    assert_int_equal(date_from_civil(1970, 1, 1), 0);
    assert_int_equal(date_from_civil(2000, 3, 1), 11017);
    assert_int_equal(date_from_civil(9999, 12, 31), 2932896);
    assert_int_equal(date_to_civil(INT32_MAX).year, 5881580);
    assert_int_equal(date_to_civil(INT32_MIN).year, -5877641);
    assert_int_equal(date_day_of_week(INT32_MAX), 1 + (int)((INT64_C(2147483647) + 3) % 7));
    assert_true(date_valid(2024, 2, 29));
    assert_false(date_valid(2023, 2, 29));
    assert_false(date_valid(1900, 2, 29));
    assert_true(date_valid(2000, 2, 29));
    assert_true(date_valid(0, 2, 29));
    assert_false(date_valid(10000, 1, 1));
    assert_false(date_valid(2024, 13, 1));
    assert_false(date_valid(2024, 0, 1));
    assert_false(date_valid(2024, 1, 0));
    assert_false(date_valid(2024, UINT32_MAX, 1));
}

static void weeks(void **state) {
    static const struct {
        int32_t year;
        uint32_t month, day;
        int32_t iso_year, iso_week;
    } cases[] = {{2005, 1, 1, 2004, 53},  {2005, 1, 2, 2004, 53},   {2005, 12, 31, 2005, 52},
                 {2006, 1, 1, 2005, 52},  {2007, 1, 1, 2007, 1},    {2007, 12, 31, 2008, 1},
                 {2008, 12, 29, 2009, 1}, {2009, 12, 31, 2009, 53}, {2010, 1, 3, 2009, 53},
                 {2024, 7, 4, 2024, 27}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int32_t year, week;
        date_iso_week(date_from_civil(cases[i].year, cases[i].month, cases[i].day), &year, &week);
        assert_int_equal(year, cases[i].iso_year);
        assert_int_equal(week, cases[i].iso_week);
    }
}

static void months(void **state) {
    bool overflow = false;
    assert_int_equal(date_add_months(date_from_civil(2024, 1, 31), 1, &overflow),
                     date_from_civil(2024, 2, 29));
    assert_int_equal(date_add_months(date_from_civil(2024, 3, 31), -1, &overflow),
                     date_from_civil(2024, 2, 29));
    assert_int_equal(date_add_months(date_from_civil(2023, 12, 15), 1, &overflow),
                     date_from_civil(2024, 1, 15));
    assert_int_equal(date_add_months(date_from_civil(0, 1, 1), -1, &overflow),
                     date_from_civil(-1, 12, 1));
    assert_int_equal(date_add_months(date_from_civil(-9999, 1, 1), 12 * 19999 - 1, &overflow),
                     date_from_civil(9999, 12, 1));
    assert_false(overflow);
    date_add_months(date_from_civil(9999, 12, 1), 1, &overflow);
    assert_true(overflow);
    overflow = false;
    date_add_months(0, INT64_MIN, &overflow);
    assert_true(overflow);
    overflow = false;
    date_add_months(0, INT64_MAX, &overflow);
    assert_true(overflow);
}

/* ---------------------------------------------------------------- text */

static void dates_as_text(void **state) {
    static const struct {
        const char *text, *canonical;
    } cases[] = {{"2024-02-29", "2024-02-29"},
                 {" 2024-2-9\t", "2024-02-09"},
                 {"0001-01-01", "0001-01-01"},
                 {"-0044-03-15", "-0044-03-15"},
                 {"+1999-12-31", "1999-12-31"},
                 {"9999-12-31", "9999-12-31"},
                 {"0000-02-29", "0000-02-29"},
                 {"2023-02-29", NULL},
                 {"2024-13-01", NULL},
                 {"2024-00-10", NULL},
                 {"2024-01-32", NULL},
                 {"24-01-01", NULL},
                 {"20240-01-01", NULL},
                 {"2024-001-01", NULL},
                 {"2024-01-001", NULL},
                 {"2024/01/01", NULL},
                 {"2024-01", NULL},
                 {"2024-01-", NULL},
                 {"", NULL},
                 {" ", NULL},
                 {"2024-01-01x", NULL},
                 {"2024-01-01 00:00:00", NULL},
                 {"--2024-01-01", NULL},
                 {"99999999999999999999-01-01", NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int32_t days = 77;
        char text[CALENDAR_TEXT_MAX];
        assert_int_equal(date_parse(str_from(cases[i].text), &days), cases[i].canonical != NULL);
        if (!cases[i].canonical) {
            assert_int_equal(days, 77);
            continue;
        }
        size_t length = date_format_iso(days, text);
        assert_string_equal(text, cases[i].canonical);
        assert_int_equal(length, strlen(text));
    }
    char text[CALENDAR_TEXT_MAX];
    date_format_iso(INT32_MAX, text);
    assert_string_equal(text, "5881580-07-11");
}

static void times_as_text(void **state) {
    static const struct {
        const char *text;
        int precision;
        const char *canonical;
    } cases[] = {{"12:34:56", 0, "12:34:56"},
                 {"12:34", 3, "12:34:00.000"},
                 {"1:02:03.5", 6, "01:02:03.500000"},
                 {"23:59:59.999999999", 9, "23:59:59.999999999"},
                 {"23:59:59.9999999994", 9, "23:59:59.999999999"},
                 {"23:59:59.9999999995", 9, "00:00:00.000000000"},
                 {"00:00:00.123456789", 4, "00:00:00.1234"},
                 {"24:00:00", 0, NULL},
                 {"12:60:00", 0, NULL},
                 {"12:00:60", 0, NULL},
                 {"12:0:0", 0, "12:00:00"},
                 {"1:2:3.4", 1, "01:02:03.4"},
                 {"12:000:00", 0, NULL},
                 {"12:00:000", 0, NULL},
                 {"12:00:00.", 0, NULL},
                 {"12:00:00,5", 0, NULL},
                 {"12", 0, NULL},
                 {"", 0, NULL},
                 {"-1:00:00", 0, NULL},
                 {"123:00:00", 0, NULL},
                 {"12:00:00 PM", 0, NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ns;
        char text[CALENDAR_TEXT_MAX];
        assert_int_equal(time_parse(str_from(cases[i].text), &ns), cases[i].canonical != NULL);
        if (!cases[i].canonical) continue;
        time_format_iso(ns, cases[i].precision, text);
        assert_string_equal(text, cases[i].canonical);
    }
}

static void timestamps_as_text(void **state) {
    static const struct {
        const char *text;
        int precision;
        const char *canonical;
        int zone;
    } cases[] = {
        {"2024-01-02 03:04:05.678", 3, "2024-01-02 03:04:05.678", -1},
        {"2024-01-02T03:04:05", 0, "2024-01-02 03:04:05", -1},
        {"2024-01-02t03:04", 0, "2024-01-02 03:04:00", -1},
        {"2024-01-02", 3, "2024-01-02 00:00:00.000", -1},
        {"2024-01-02 03:04:05.6785", 3, "2024-01-02 03:04:05.679", -1},
        {"2024-01-02 03:04:05.6784999", 3, "2024-01-02 03:04:05.678", -1},
        {"1969-12-31 23:59:59.9999999", 6, "1970-01-01 00:00:00.000000", -1},
        {"1969-12-31 23:59:59.123456789", 9, "1969-12-31 23:59:59.123456789", -1},
        {"2023-12-31 23:59:59.5", 0, "2024-01-01 00:00:00", -1},
        {"9999-12-31 23:59:59.999999", 6, "9999-12-31 23:59:59.999999", -1},
        {"9999-12-31 23:59:59.999999", 5, NULL, 0},
        {"-9999-01-01 00:00:00", 0, "-9999-01-01 00:00:00", -1},
        {"2024-01-02 03:04:05Z", 0, "2024-01-02 03:04:05", ZONE_UTC},
        {"2024-01-02T03:04:05.5z", 1, "2024-01-02 03:04:05.5", ZONE_UTC},
        {"2024-01-02 03:04:05 UTC", 0, "2024-01-02 03:04:05", ZONE_UTC},
        {"2024-01-02 03:04:05+02:00", 0, "2024-01-02 03:04:05", ZONE_OFFSET_BASE + 120},
        {"2024-01-02 03:04-0330", 0, "2024-01-02 03:04:00", ZONE_OFFSET_BASE - 210},
        {"2024-01-02 03:04:05 +14", 0, "2024-01-02 03:04:05", ZONE_OFFSET_BASE + 840},
        {"2024-01-02 UTC", 0, "2024-01-02 00:00:00", ZONE_UTC},
        {"2024-01-02 +01:00", 0, "2024-01-02 00:00:00", ZONE_OFFSET_BASE + 60},
        {"2024-01-02 03:04:05 +14:01", 0, NULL, 0},
        {"2024-01-02 03:04:05+1:0", 0, NULL, 0},
        {"2024-01-02 03:04:05 No/Such", 0, NULL, 0},
        {"2024-01-02 03:04:05UTC", 0, "2024-01-02 03:04:05", ZONE_UTC},
        {"2024-01-02UTC", 0, NULL, 0},
        {"2024-01-02+01:00", 0, NULL, 0},
        {"2024-01-02Z", 0, NULL, 0},
        {"2024-01-02T", 0, NULL, 0},
        {"2024-01-02 03", 0, NULL, 0},
        {"2024-01-02 03:04:05.", 0, NULL, 0},
        {"2024-01-02 03:04:05 UTC x", 0, NULL, 0},
        {"2024-02-30 03:04:05", 0, NULL, 0},
        {"03:04:05", 0, NULL, 0},
        {"", 0, NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t us;
        int32_t ns;
        int16_t zone;
        char text[CALENDAR_TEXT_MAX];
        bool parsed = timestamp_parse(str_from(cases[i].text), cases[i].precision, &us, &ns, &zone);
        assert_int_equal(parsed, cases[i].canonical != NULL);
        if (!parsed) continue;
        size_t length = timestamp_format_iso(us, ns, cases[i].precision, text);
        assert_string_equal(text, cases[i].canonical);
        assert_int_equal(length, strlen(text));
        assert_int_equal(zone, cases[i].zone);
        assert_in_range(ns, 0, 999);
    }
    char text[CALENDAR_TEXT_MAX];
    timestamp_format_iso(INT64_MIN, 999, 9, text);
    assert_string_equal(text, "-290308-12-21 19:59:05.224192999");
    timestamp_format_iso(INT64_MAX, 0, 6, text);
    assert_string_equal(text, "294247-01-10 04:00:54.775807");
}

static void intervals_as_text(void **state) {
    char text[CALENDAR_TEXT_MAX];
    static const struct {
        int32_t months;
        const char *text;
    } years[] = {{18, "1-6"},
                 {0, "0-0"},
                 {-18, "-1-6"},
                 {11, "0-11"},
                 {-1, "-0-1"},
                 {INT32_MIN, "-178956970-8"},
                 {INT32_MAX, "178956970-7"}};
    for (size_t i = 0; i < COUNT_OF(years); i++) {
        assert_int_equal(interval_ym_format(years[i].months, text), strlen(years[i].text));
        assert_string_equal(text, years[i].text);
    }
    static const struct {
        int64_t us;
        const char *text;
    } days[] = {
        {2 * US_PER_DAY + (3 * 3600 + 4 * 60 + 5) * US_PER_SECOND + 678000, "2 03:04:05.678"},
        {0, "0 00:00:00.000"},
        {-1000, "-0 00:00:00.001"},
        {1, "0 00:00:00.000001"},
        {INT64_MIN, "-106751991 04:00:54.775808"},
        {INT64_MAX, "106751991 04:00:54.775807"}};
    for (size_t i = 0; i < COUNT_OF(days); i++) {
        assert_int_equal(interval_ds_format(days[i].us, text), strlen(days[i].text));
        assert_string_equal(text, days[i].text);
    }
}

/* ---------------------------------------------------------------- zones */

static void zone_names(void **state) {
    static const struct {
        const char *name;
        int zone;
        const char *canonical;
    } cases[] = {{"UTC", 0, "UTC"},
                 {"z", 0, "UTC"},
                 {"gmt", 0, "UTC"},
                 {"Etc/UTC", 0, "UTC"},
                 {"+00:00", 0, "UTC"},
                 {"-00:00", 0, "UTC"},
                 {"UTC+0", 0, "UTC"},
                 {"+5", ZONE_OFFSET_BASE + 300, "+05:00"},
                 {"+530", ZONE_OFFSET_BASE + 330, "+05:30"},
                 {"+0530", ZONE_OFFSET_BASE + 330, "+05:30"},
                 {"GMT-3:30", ZONE_OFFSET_BASE - 210, "-03:30"},
                 {"-14:00", ZONE_OFFSET_BASE - 840, "-14:00"},
                 {"+14:00", ZONE_OFFSET_BASE + 840, "+14:00"},
                 {"+14:01", -1, NULL},
                 {"-15", -1, NULL},
                 {"+", -1, NULL},
                 {"+:30", -1, NULL},
                 {"+1:5", -1, NULL},
                 {"+01:00:00", -1, NULL},
                 {"+12345", -1, NULL},
                 {"+01:60", -1, NULL},
                 {"", -1, NULL},
                 {"/etc/passwd", -1, NULL},
                 {"../../../etc/passwd", -1, NULL},
                 {"Europe/../Europe/Berlin", -1, NULL},
                 {"Europe//Berlin", -1, NULL},
                 {"Europe/Berlin/", -1, NULL},
                 {"Europe", -1, NULL},
                 {"tzdata.zi", -1, NULL},
                 {"zone1970", -1, NULL},
                 {"No/Such_Zone", -1, NULL}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int16_t zone = zone_lookup(str_from(cases[i].name));
        assert_int_equal(zone, cases[i].zone);
        if (zone >= 0) assert_string_equal(zone_name(zone), cases[i].canonical);
    }
    char long_name[5000];
    memset(long_name, 'a', sizeof long_name);
    assert_int_equal(zone_lookup((Str){long_name, sizeof long_name}), -1);
    assert_int_equal(zone_lookup(STR("Europe\0Berlin")), -1);
    Error err;
    int16_t zone;
    assert_int_equal(zone_resolve(STR("Nowhere/Land"), &zone, &err), TRIB_DATA);
    assert_string_equal(err.sqlstate, "22023");
    assert_non_null(strstr(err.message, "Nowhere/Land"));
    assert_true(err.hint[0] != '\0');
    assert_int_equal(zone_resolve(STR("+02:00"), &zone, &err), TRIB_OK);
    assert_int_equal(zone_offset_at(zone, 0), 7200);
    assert_int_equal(zone_local_to_utc(zone, 0), -7200 * US_PER_SECOND);
}

static int16_t need_zone(const char *name) {
    int16_t zone = zone_lookup(str_from(name));
    if (zone < 0) skip();
    assert_in_range(zone, 1, ZONE_OFFSET_BASE - 841);
    assert_string_equal(zone_name(zone), name);
    assert_int_equal(zone_lookup(str_from(name)), zone);
    return zone;
}

static void zone_offsets(void **state) {
    static const struct {
        const char *name;
        int year, month, day, hour; /* UTC */
        int offset;
    } cases[] = {
        {"Europe/Berlin", 1890, 1, 1, 0, 3208}, /* local mean time, 0:53:28 */
        {"Europe/Berlin", 2024, 1, 1, 0, 3600},
        {"Europe/Berlin", 2024, 7, 1, 0, 7200},
        {"Europe/Berlin", 2024, 3, 31, 0, 3600},
        {"Europe/Berlin", 2024, 3, 31, 1, 7200},
        {"Europe/Berlin", 2024, 10, 27, 0, 7200},
        {"Europe/Berlin", 2024, 10, 27, 1, 3600},
        {"Europe/Berlin", 2500, 7, 1, 0, 7200}, /* the footer's rule */
        {"Europe/Berlin", 9999, 12, 31, 0, 3600},
        {"America/New_York", 2007, 3, 11, 6, -18000},
        {"America/New_York", 2007, 3, 11, 7, -14400},
        {"America/New_York", 3000, 7, 4, 12, -14400},
        {"Australia/Lord_Howe", 2024, 1, 1, 0, 39600}, /* summer time is half an hour */
        {"Australia/Lord_Howe", 2024, 7, 1, 0, 37800},
        {"Australia/Lord_Howe", 2300, 1, 1, 0, 39600},
        {"Asia/Kolkata", 2024, 1, 1, 0, 19800},
        {"Asia/Kolkata", 5000, 1, 1, 0, 19800},
        {"Asia/Kathmandu", 2024, 1, 1, 0, 20700},
        {"Pacific/Apia", 2011, 12, 30, 9, -36000}, /* the 30th never was, there */
        {"Pacific/Apia", 2011, 12, 30, 10, 50400},
        {"Europe/Dublin", 2024, 7, 1, 0, 3600}, /* "negative" summer time in winter */
        {"Europe/Dublin", 2024, 1, 1, 0, 0},
        {"Europe/Dublin", 2200, 1, 1, 0, 0},
        {"America/Sao_Paulo", 2018, 12, 1, 0, -7200},
        {"America/Sao_Paulo", 2024, 12, 1, 0, -10800},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int16_t zone = need_zone(cases[i].name);
        int64_t us = AT(cases[i].year, (uint32_t)cases[i].month, (uint32_t)cases[i].day,
                        cases[i].hour, 0, 0);
        if (zone_offset_at(zone, us) != cases[i].offset)
            fail_msg("%s %d-%d: %d", cases[i].name, cases[i].year, cases[i].month,
                     zone_offset_at(zone, us));
    }
    int16_t berlin = need_zone("Europe/Berlin");
    zone_offset_at(berlin, INT64_MIN);
    zone_offset_at(berlin, INT64_MAX);
    assert_int_equal(zone_offset_at(-1, 0), 0);
    assert_int_equal(zone_offset_at(2047, 0), 0);
    assert_int_equal(zone_offset_at(INT16_MAX, 0), 0);
}

static void zone_gaps_and_overlaps(void **state) {
    int16_t berlin = need_zone("Europe/Berlin"), york = need_zone("America/New_York");
    int16_t apia = need_zone("Pacific/Apia");
    /* 02:30 did not exist: it becomes 03:30 summer time. */
    assert_int_equal(zone_local_to_utc(berlin, AT(2024, 3, 31, 2, 30, 0)),
                     AT(2024, 3, 31, 1, 30, 0));
    assert_int_equal(zone_local_to_utc(berlin, AT(2024, 3, 31, 1, 59, 59)),
                     AT(2024, 3, 31, 0, 59, 59));
    assert_int_equal(zone_local_to_utc(berlin, AT(2024, 3, 31, 3, 0, 0)), AT(2024, 3, 31, 1, 0, 0));
    /* 02:30 was twice: the first one, in summer time. */
    assert_int_equal(zone_local_to_utc(berlin, AT(2024, 10, 27, 2, 30, 0)),
                     AT(2024, 10, 27, 0, 30, 0));
    assert_int_equal(zone_local_to_utc(berlin, AT(2024, 10, 27, 3, 0, 0)),
                     AT(2024, 10, 27, 2, 0, 0));
    assert_int_equal(zone_local_to_utc(york, AT(2500, 11, 7, 1, 30, 0)), AT(2500, 11, 7, 5, 30, 0));
    assert_int_equal(zone_local_to_utc(york, AT(2500, 3, 14, 2, 30, 0)), AT(2500, 3, 14, 7, 30, 0));
    /* A whole day is missing. */
    assert_int_equal(zone_local_to_utc(apia, AT(2011, 12, 30, 12, 0, 0)),
                     AT(2011, 12, 30, 22, 0, 0));
    for (int64_t us = AT(1900, 1, 1, 0, 0, 0); us < AT(2600, 1, 1, 0, 0, 0);
         us += US_PER_DAY * 3 + 12345) {
        int64_t local = us + zone_offset_at(berlin, us) * US_PER_SECOND;
        int64_t back = zone_local_to_utc(berlin, local);
        assert_true(back == us || back + 3600 * US_PER_SECOND == us);
    }
    assert_int_equal(zone_local_to_utc(ZONE_OFFSET_BASE + 60, INT64_MIN), INT64_MIN);
    assert_int_equal(zone_local_to_utc(ZONE_OFFSET_BASE - 60, INT64_MAX), INT64_MAX);
    char text[CALENDAR_TEXT_MAX];
    timestamp_tz_format(AT(2024, 7, 1, 12, 0, 0), 0, berlin, 3, text);
    assert_string_equal(text, "2024-07-01 14:00:00.000 Europe/Berlin");
    timestamp_tz_format(0, 7, ZONE_OFFSET_BASE - 90, 9, text);
    assert_string_equal(text, "1969-12-31 22:30:00.000000007 -01:30");
    timestamp_tz_format(0, 0, ZONE_UTC, 0, text);
    assert_string_equal(text, "1970-01-01 00:00:00 UTC");
}

/* ---------------------------------------------------------------- files that lie */

typedef struct TzFile {
    char bytes[4096];
    size_t len;
} TzFile;

static void put(TzFile *file, const void *data, size_t len) {
    memcpy(file->bytes + file->len, data, len);
    file->len += len;
}
static void put_number(TzFile *file, int64_t value, size_t width) {
    for (size_t i = 0; i < width; i++)
        file->bytes[file->len++] = (char)((uint64_t)value >> 8 * (width - 1 - i));
}

/* Counts: isutc, isstd, leap, times, types, chars. */
static void put_header(TzFile *file, const uint32_t counts[6]) {
    put(file, "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    for (int i = 0; i < 6; i++) put_number(file, counts[i], 4);
}

/* A good file with two transitions, of which the test then spoils a part. */
static void put_file(TzFile *file, const char *footer) {
    file->len = 0;
    put_header(file, (uint32_t[]){0, 0, 0, 0, 1, 1});
    put(file, "\0\0\0\0\0\0", 6); /* the type of the 32-bit block */
    put(file, "\0", 1);
    put_header(file, (uint32_t[]){0, 0, 0, 2, 2, 8});
    put_number(file, 0, 8);
    put_number(file, 100000, 8);
    put(file, "\1\0", 2);
    put_number(file, 3600, 4);
    put(file, "\0\0", 2);
    put_number(file, 7200, 4);
    put(file, "\1\4", 2);
    put(file, "AAA\0BBB\0", 8);
    put(file, "\n", 1);
    put(file, footer, strlen(footer));
    put(file, "\n", 1);
}

static char folder[] = "/tmp/trib-zones-XXXXXX";
static int written;

/* Stores a file under a fresh name and looks it up. */
static int16_t zone_of_file(const TzFile *file) {
    char path[128], name[32];
    snprintf(name, sizeof name, "Z%d", ++written);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(file->bytes, 1, file->len, out), file->len);
    fclose(out);
    int16_t zone = zone_lookup(str_from(name));
    unlink(path);
    return zone;
}

static void zone_files(void **state) {
    TzFile file;
    assert_non_null(mkdtemp(folder));
    setenv("TZDIR", folder, 1);
    put_file(&file, "AAA-1");
    int16_t zone = zone_of_file(&file);
    assert_true(zone > 0);
    assert_int_equal(zone_offset_at(zone, -US_PER_SECOND), 3600);
    assert_int_equal(zone_offset_at(zone, 0), 7200);
    assert_int_equal(zone_offset_at(zone, 100000 * US_PER_SECOND), 3600);
    assert_int_equal(zone_offset_at(zone, 100000 * US_PER_SECOND - 1), 7200);

    static const char *const good[] = {"",
                                       "<+03>-3",
                                       "AAA-1BBB,M3.5.0,M10.5.0/3",
                                       "AAA3BBB,J60,J365/23",
                                       "AAA3BBB2,0/0,J365/23",
                                       "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1",
                                       "IST-1GMT0,M10.5.0,M3.5.0/1",
                                       "AAA-1BBB-2:30:15,M1.1.0/167:59:59,M12.5.6/-167"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        put_file(&file, good[i]);
        zone = zone_of_file(&file);
        assert_true(zone > 0);
        for (int year = 1970; year < 9990; year += 37) {
            int64_t at = AT(year, 6, 15, 12, 0, 0);
            int32_t offset = zone_offset_at(zone, at);
            assert_in_range(offset + 100000, 0, 200000);
            zone_local_to_utc(zone, at);
        }
    }
    put_file(&file, "AAA3BBB,0/0,J365/25"); /* summer all the year round (RFC 8536, 3.3.1) */
    zone = zone_of_file(&file);
    assert_int_equal(zone_offset_at(zone, AT(2050, 1, 1, 2, 0, 0)), -7200);
    assert_int_equal(zone_offset_at(zone, AT(2051, 1, 1, 2, 30, 0)), -7200);
    assert_int_equal(zone_offset_at(zone, AT(2250, 6, 1, 2, 30, 0)), -7200);

    static const char *const bad[] = {"AA-1",
                                      "AAA",
                                      "-1",
                                      "AAA-1BBB",
                                      "AAA-1BBB,M3.5.0",
                                      "AAA-1BBB,M13.5.0,M10.5.0",
                                      "AAA-1BBB,M3.6.0,M10.5.0",
                                      "AAA-1BBB,M3.5.7,M10.5.0",
                                      "AAA-1BBB,J0,J365",
                                      "AAA-1BBB,366,J365",
                                      "AAA-168",
                                      "AAA-1:60",
                                      "AAA-1BBB,M3.5.0,M10.5.0/3x",
                                      "<AAA-1",
                                      "AAA-99999999999999999999",
                                      "AAA-1BBB,M3.5.0/,M10.5.0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        put_file(&file, bad[i]);
        if (zone_of_file(&file) != -1) fail_msg("accepted: %s", bad[i]);
    }
    /* Every way of being cut short. */
    put_file(&file, "AAA-1");
    size_t whole = file.len;
    for (size_t i = 0; i < whole; i++) {
        file.len = i;
        assert_int_equal(zone_of_file(&file), -1);
    }
    /* Every byte spoiled: whatever comes out must not crash, nor leave the range of offsets. */
    uint64_t seed = 4;
    for (size_t i = 0; i < whole; i++) {
        put_file(&file, "AAA-1BBB,M3.5.0,M10.5.0/3");
        file.bytes[i] = (char)test_random(&seed);
        zone = zone_of_file(&file);
        if (zone < 0) continue;
        for (int year = -9000; year < 9990; year += 997)
            assert_in_range(zone_local_to_utc(zone, AT(year, 6, 15, 12, 0, 0)) -
                                AT(year, 6, 15, 12, 0, 0) + 8 * US_PER_DAY,
                            0, 16 * US_PER_DAY);
    }
    unsetenv("TZDIR");
    rmdir(folder);
}

/* ---------------------------------------------------------------- threads */

static const char *const thread_zones[] = {"Asia/Tokyo", "America/Lima",    "Africa/Cairo",
                                           "Asia/Dubai", "Europe/Madrid",   "America/Denver",
                                           "Asia/Seoul", "Pacific/Auckland"};

static void *look_up(void *context) {
    int16_t *out = context;
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < COUNT_OF(thread_zones); i++) {
            out[i] = zone_lookup(str_from(thread_zones[i]));
            zone_offset_at(out[i], AT(2024, 7, 1, 0, 0, 0));
            if (zone_name(out[i])[0] == '\0') return NULL;
        }
    }
    return out;
}

static void zones_from_many_threads(void **state) {
    pthread_t threads[8];
    int16_t zones[8][COUNT_OF(thread_zones)];
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, look_up, zones[i]), 0);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
        assert_memory_equal(zones[i], zones[0], sizeof zones[0]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day),
        cmocka_unit_test(weeks),
        cmocka_unit_test(months),
        cmocka_unit_test(dates_as_text),
        cmocka_unit_test(times_as_text),
        cmocka_unit_test(timestamps_as_text),
        cmocka_unit_test(intervals_as_text),
        cmocka_unit_test(zone_names),
        cmocka_unit_test(zone_offsets),
        cmocka_unit_test(zone_gaps_and_overlaps),
        cmocka_unit_test(zones_from_many_threads),
        cmocka_unit_test(zone_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
