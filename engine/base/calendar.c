/*
 * calendar.c - dates, times of day and timestamps, to and from text.
 *
 * Days and civil dates are converted by counting from 0000-03-01 in eras of 400 years (146,097
 * days): a year that begins in March has its leap day last, so months need no table. Parsers accept
 * exactly the documented forms; nothing depends on the locale or the process's time zone. No
 * allocation.
 */
#include "engine/base/calendar.h"

#define DAYS_PER_ERA  146097
#define DAYS_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */
#define ERAS_BEFORE   30     /* the year -12,000 */
#define NEAR_DAYS     100000000
#define YEAR_MAX      9999
#define NS_PER_SECOND INT64_C(1000000000)
#define FRACTION_MAX  9

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t quotient = a / b;
    return quotient - (a % b < 0);
}

/* ---------------------------------------------------------------- dates */

int32_t date_from_civil(int32_t year, uint32_t month, uint32_t day) {
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int32_t)(era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH);
}

/* The same count for any int32, in 64 bits. */
static CivilDate civil_far(int32_t days) {
    int64_t z = (int64_t)days + DAYS_TO_EPOCH;
    int64_t era = floor_div(z, DAYS_PER_ERA);
    int64_t day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 = March */
    CivilDate out;
    out.day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1);
    out.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
    out.year = (int32_t)(year_of_era + era * 400 + (out.month <= 2));
    return out;
}

/* Without divisions by variables and with 32-bit products: C. Neri, L. Schneider, "Euclidean affine
 * functions and their application to calendar algorithms", 2022, figure 12. */
CivilDate date_to_civil(int32_t days) {
    if (days < -ERAS_BEFORE * DAYS_PER_ERA || days > NEAR_DAYS) return civil_far(days);
    uint32_t n = (uint32_t)(days + DAYS_TO_EPOCH + ERAS_BEFORE * DAYS_PER_ERA);
    uint32_t n1 = 4 * n + 3;
    uint32_t century = n1 / DAYS_PER_ERA;
    uint32_t n2 = n1 % DAYS_PER_ERA | 3;
    uint64_t p2 = (uint64_t)2939745 * n2;
    uint32_t day_of_year = (uint32_t)p2 / 2939745 / 4;
    uint32_t n3 = 2141 * day_of_year + 197913;
    bool next_year = day_of_year >= 306; /* January and February */
    CivilDate out;
    out.year = (int32_t)(100 * century + (uint32_t)(p2 >> 32)) - 400 * ERAS_BEFORE + next_year;
    out.month = (uint8_t)((n3 >> 16) - (next_year ? 12 : 0));
    out.day = (uint8_t)((n3 & 0xFFFF) / 2141 + 1);
    return out;
}

static bool leap_year(int32_t year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

uint32_t date_days_in_month(int32_t year, uint32_t month) {
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && leap_year(year) ? 29 : days[month - 1];
}

bool date_valid(int32_t year, uint32_t month, uint32_t day) {
    return year >= -YEAR_MAX && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
           day <= date_days_in_month(year, month);
}

int32_t date_add_months(int32_t days, int64_t months, bool *overflow) {
    CivilDate date = date_to_civil(days);
    int64_t total;
    if (__builtin_add_overflow((int64_t)date.year * 12 + date.month - 1, months, &total) ||
        floor_div(total, 12) < -YEAR_MAX || floor_div(total, 12) > YEAR_MAX) {
        *overflow = true;
        return 0;
    }
    int32_t year = (int32_t)floor_div(total, 12);
    uint32_t month = (uint32_t)(total - (int64_t)year * 12) + 1;
    uint32_t last = date_days_in_month(year, month);
    return date_from_civil(year, month, date.day < last ? date.day : last);
}

int date_day_of_week(int32_t days) {
    int64_t since_monday = (int64_t)days + 3; /* 1970-01-01 was a Thursday */
    return (int)(since_monday - floor_div(since_monday, 7) * 7) + 1;
}

int date_day_of_year(int32_t days) {
    return days - date_from_civil(date_to_civil(days).year, 1, 1) + 1;
}

/* ISO 8601: a week belongs to the year in which its Thursday lies. */
void date_iso_week(int32_t days, int32_t *year, int32_t *week) {
    int64_t thursday = (int64_t)days + 4 - date_day_of_week(days);
    if (thursday > INT32_MAX) thursday -= 7; /* the last week that an int32 can express */
    int32_t at = (int32_t)thursday;
    *year = date_to_civil(at).year;
    *week = (date_day_of_year(at) - 1) / 7 + 1;
}

CivilTime time_to_civil(int64_t ns) {
    int64_t seconds = ns / NS_PER_SECOND;
    return (CivilTime){.hour = (uint8_t)(seconds / 3600),
                       .minute = (uint8_t)(seconds / 60 % 60),
                       .second = (uint8_t)(seconds % 60),
                       .ns = (int32_t)(ns % NS_PER_SECOND)};
}

/* ---------------------------------------------------------------- reading */

typedef struct Cursor {
    const char *at, *end;
} Cursor;

static bool take_char(Cursor *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool digit_next(const Cursor *in) {
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

/* Between `least` and `most` digits, not followed by another. */
static bool take_digits(Cursor *in, int least, int most, uint32_t *out) {
    int count = 0;
    uint32_t value = 0;
    for (; count < most && digit_next(in); count++)
        value = value * 10 + (uint32_t)(*in->at++ - '0');
    *out = value;
    return count >= least && !digit_next(in);
}

static bool take_date(Cursor *in, int32_t *days) {
    uint32_t year, month, day;
    bool negative = take_char(in, '-');
    if (!negative) take_char(in, '+');
    if (!take_digits(in, 4, 4, &year) || !take_char(in, '-') || !take_digits(in, 1, 2, &month) ||
        !take_char(in, '-') || !take_digits(in, 1, 2, &day))
        return false;
    int32_t signed_year = negative ? -(int32_t)year : (int32_t)year;
    if (!date_valid(signed_year, month, day)) return false;
    *days = date_from_civil(signed_year, month, day);
    return true;
}

/* Fraction digits as ns rounded half up to `precision`: 0 .. 10^9. */
static bool take_fraction(Cursor *in, int precision, int64_t *ns) {
    int64_t value = 0;
    int count = 0;
    bool up = false;
    if (!digit_next(in)) return false;
    for (; digit_next(in); in->at++, count++) {
        if (count < precision)
            value = value * 10 + (*in->at - '0');
        else if (count == precision)
            up = *in->at >= '5';
    }
    for (; count < precision; count++) value *= 10;
    value += up;
    for (count = precision; count < FRACTION_MAX; count++) value *= 10;
    *ns = value;
    return true;
}

/* H[H]:M[M][:S[S][.f]]; seconds of the day and ns, of which the latter may be a whole second. */
static bool take_time(Cursor *in, int precision, int64_t *seconds, int64_t *ns) {
    uint32_t hour, minute, second = 0;
    *ns = 0;
    if (!take_digits(in, 1, 2, &hour) || !take_char(in, ':') || !take_digits(in, 1, 2, &minute))
        return false;
    if (take_char(in, ':')) {
        if (!take_digits(in, 1, 2, &second)) return false;
        if (take_char(in, '.') && !take_fraction(in, precision, ns)) return false;
    }
    *seconds = (int64_t)hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

static Cursor cursor_of(Str text) {
    Str trimmed = str_trim(text);
    return (Cursor){trimmed.data, trimmed.data + trimmed.len};
}

bool date_parse(Str text, int32_t *days) {
    Cursor in = cursor_of(text);
    int32_t value;
    if (!take_date(&in, &value) || in.at != in.end) return false;
    *days = value;
    return true;
}

bool time_parse(Str text, int64_t *ns) {
    Cursor in = cursor_of(text);
    int64_t seconds, fraction;
    if (!take_time(&in, FRACTION_MAX, &seconds, &fraction) || in.at != in.end) return false;
    *ns = (seconds * NS_PER_SECOND + fraction) % NS_PER_DAY;
    return true;
}

bool timestamp_parse(Str text, int precision, int64_t *us, int32_t *ns, int16_t *zone) {
    Cursor in = cursor_of(text);
    int32_t days;
    int64_t seconds = 0, fraction = 0;
    int16_t found = -1;
    if (precision < 0) precision = 0;
    if (precision > FRACTION_MAX) precision = FRACTION_MAX;
    if (!take_date(&in, &days)) return false;
    Cursor after_date = in;
    if ((take_char(&in, ' ') || take_char(&in, 'T') || take_char(&in, 't'))) {
        while (in.at < in.end && *in.at == ' ') in.at++;
        if (!digit_next(&in))
            in = after_date; /* a zone follows */
        else if (!take_time(&in, precision, &seconds, &fraction))
            return false;
    }
    if (in.at < in.end) {
        Str name = str_trim((Str){in.at, (size_t)(in.end - in.at)});
        /* Behind a time of day the zone may follow at once, behind a date a blank stands between. */
        if (in.at == after_date.at && *in.at != ' ') return false;
        found = zone_lookup(name);
        if (found < 0) return false;
    }
    int64_t value = days * US_PER_DAY + seconds * US_PER_SECOND + fraction / 1000;
    if (value >= (date_from_civil(YEAR_MAX, 12, 31) + INT64_C(1)) * US_PER_DAY) return false;
    *us = value;
    *ns = (int32_t)(fraction % 1000);
    *zone = found;
    return true;
}

/* ---------------------------------------------------------------- writing */

static char *put_2(char *at, uint32_t value) {
    at[0] = (char)('0' + value / 10);
    at[1] = (char)('0' + value % 10);
    return at + 2;
}

static char *put_date(char *at, int32_t days) {
    CivilDate date = date_to_civil(days);
    uint32_t year = (uint32_t)(date.year < 0 ? -date.year : date.year);
    if (date.year < 0) *at++ = '-';
    if (year > YEAR_MAX) {
        at += text_format(at, 16, "%u", year / 10000);
        year %= 10000;
    }
    at = put_2(at, year / 100);
    at = put_2(at, year % 100);
    *at++ = '-';
    at = put_2(at, date.month);
    *at++ = '-';
    return put_2(at, date.day);
}

/* Digits past the precision are cut: values were rounded when they took on their type. */
static char *put_fraction(char *at, int32_t ns, int precision) {
    if (precision <= 0) return at;
    if (precision > FRACTION_MAX) precision = FRACTION_MAX;
    uint32_t value = (uint32_t)ns, pair = value / 10000000;
    *at++ = '.';
    put_2(at, pair);
    value -= pair * 10000000;
    put_2(at + 2, value / 100000);
    put_2(at + 4, value / 1000 % 100);
    put_2(at + 6, value / 10 % 100);
    at[8] = (char)('0' + value % 10);
    return at + precision;
}

static char *put_time(char *at, int64_t ns, int precision) {
    CivilTime time = time_to_civil(ns);
    at = put_2(at, time.hour);
    *at++ = ':';
    at = put_2(at, time.minute);
    *at++ = ':';
    at = put_2(at, time.second);
    return put_fraction(at, time.ns, precision);
}

static size_t put_end(char *at, const char *out) {
    *at = '\0';
    return (size_t)(at - out);
}

size_t date_format_iso(int32_t days, char out[CALENDAR_TEXT_MAX]) {
    return put_end(put_date(out, days), out);
}

size_t time_format_iso(int64_t ns, int precision, char out[CALENDAR_TEXT_MAX]) {
    return put_end(put_time(out, ns, precision), out);
}

size_t timestamp_format_iso(int64_t us, int32_t ns, int precision, char out[CALENDAR_TEXT_MAX]) {
    int64_t in_day = us % US_PER_DAY;
    if (in_day < 0) in_day += US_PER_DAY;
    char *at = put_date(out, (int32_t)floor_div(us, US_PER_DAY));
    *at++ = ' ';
    return put_end(put_time(at, in_day * 1000 + ns, precision), out);
}

size_t timestamp_tz_format(int64_t utc_us, int32_t ns, int16_t zone, int precision,
                           char out[CALENDAR_TEXT_MAX]) {
    int64_t local;
    if (__builtin_add_overflow(utc_us, zone_offset_at(zone, utc_us) * US_PER_SECOND, &local))
        local = utc_us;
    size_t length = timestamp_format_iso(local, ns, precision, out);
    int more = text_format(out + length, CALENDAR_TEXT_MAX - length, " %s", zone_name(zone));
    return length + (size_t)more;
}

size_t interval_ym_format(int32_t months, char out[CALENDAR_TEXT_MAX]) {
    uint32_t size = months < 0 ? 0 - (uint32_t)months : (uint32_t)months;
    return (size_t)text_format(out, CALENDAR_TEXT_MAX, "%s%u-%u", months < 0 ? "-" : "", size / 12,
                               size % 12);
}

size_t interval_ds_format(int64_t us, char out[CALENDAR_TEXT_MAX]) {
    uint64_t size = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    uint64_t days = size / (uint64_t)US_PER_DAY, rest = size % (uint64_t)US_PER_DAY;
    char *at = out + text_format(out, CALENDAR_TEXT_MAX, "%s%llu ", us < 0 ? "-" : "",
                                 (unsigned long long)days);
    return put_end(put_time(at, (int64_t)rest * 1000, rest % 1000 == 0 ? 3 : 6), out);
}
