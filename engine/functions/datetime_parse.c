/*
 * datetime_parse.c - reading moments after patterns.
 *
 * The fields that a text gives are collected and put together at the end, the larger ones first, as Joda-Time's
 * parser does: weeks of a week-year, or days of a year, or days of a month; a day of the week moves within
 * its week.
 */
#include "engine/functions/datetime_pattern.h"

#define ABSENT INT32_MIN

typedef struct Fields {
    int32_t era, century, year, year_of_era, weekyear; /* ABSENT: not given */
    int32_t week, month, day, day_of_year, day_of_week;
    int32_t half, hour_half, hour, minute, second; /* hour_half: 0..11 */
    int32_t fraction;                              /* ns */
    bool has_zone;
    int16_t zone;
} Fields;

typedef struct Reader {
    Str text;
    size_t at;
    Fields fields;
    int32_t pivot;
} Reader;

/* ---------------------------------------------------------------- pieces of text */

static bool digit_at(const Reader *r, size_t at) {
    return at < r->text.len && r->text.data[at] >= '0' && r->text.data[at] <= '9';
}

/* At most `most` digits, perhaps with a sign. */
static bool read_number(Reader *r, uint8_t most, bool sign, int32_t *out) {
    bool negative = false;
    int64_t value = 0;
    size_t at = r->at;
    if (sign && at < r->text.len && (r->text.data[at] == '-' || r->text.data[at] == '+') &&
        digit_at(r, at + 1)) {
        negative = r->text.data[at++] == '-';
    }
    size_t start = at;
    while (digit_at(r, at) && at - start < most) {
        value = value * 10 + (r->text.data[at++] - '0');
        if (value > INT32_MAX) return false;
    }
    if (at == start) return false;
    r->at = at;
    *out = (int32_t)(negative ? -value : value);
    return true;
}

static bool in_range(int32_t value, int32_t low, int32_t high) {
    return value >= low && value <= high;
}

/* Is `name` (its first `len` letters) here as it is written, or all in lower or upper case? */
static bool name_here(const Reader *r, const char *name, size_t len) {
    bool same = true, lower = true, upper = true;
    if (r->text.len - r->at < len) return false;
    for (size_t i = 0; i < len; i++) {
        char c = r->text.data[r->at + i], n = name[i];
        char low = (char)(n >= 'A' && n <= 'Z' ? n | 32 : n);
        char high = (char)(n >= 'a' && n <= 'z' ? n & ~32 : n);
        same = same && c == n;
        lower = lower && c == low;
        upper = upper && c == high;
    }
    return same || lower || upper;
}

/* The index of the name that is here, in full or its first three letters; -1 = none. */
static int32_t read_name(Reader *r, const char *const *names, int32_t count) {
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < count; i++) {
            size_t len = pass == 0 ? strlen(names[i]) : 3;
            if (!name_here(r, names[i], len)) continue;
            r->at += len;
            return i;
        }
    }
    return -1;
}

static bool read_literal(Reader *r, Str literal) {
    if (r->text.len - r->at < literal.len) return false;
    if (!str_equal_fold((Str){r->text.data + r->at, literal.len}, literal)) return false;
    r->at += literal.len;
    return true;
}

static bool read_fraction(Reader *r, uint8_t most) {
    int32_t value = 0, unit = 100000000;
    size_t start = r->at;
    while (digit_at(r, r->at) && r->at - start < most) {
        value += (r->text.data[r->at++] - '0') * unit;
        unit /= 10;
    }
    r->fields.fraction = value;
    return r->at > start;
}

/* "Z", "+05:30", "+0530", "+05". */
static bool read_offset(Reader *r) {
    int32_t hours = 0, minutes = 0;
    r->fields.has_zone = true;
    r->fields.zone = ZONE_UTC;
    if (r->at >= r->text.len) return false;
    char c = r->text.data[r->at];
    if (c == 'Z' || c == 'z') {
        r->at++;
        return true;
    }
    if (c != '+' && c != '-') return false;
    r->at++;
    if (!digit_at(r, r->at) || !digit_at(r, r->at + 1) || !read_number(r, 2, false, &hours))
        return false;
    size_t colon = r->at < r->text.len && r->text.data[r->at] == ':' ? 1 : 0;
    if (digit_at(r, r->at + colon) && digit_at(r, r->at + colon + 1)) {
        r->at += colon;
        if (!read_number(r, 2, false, &minutes)) return false;
    }
    int32_t total = hours * 60 + minutes;
    if (minutes > 59 || total > 14 * 60) return false;
    r->fields.zone =
        total == 0 ? ZONE_UTC : (int16_t)(ZONE_OFFSET_BASE + (c == '-' ? -total : total));
    return true;
}

/* The longest name of a zone that begins here. */
static bool read_zone(Reader *r) {
    size_t len = 0;
    while (r->at + len < r->text.len) {
        char c = r->text.data[r->at + len];
        bool named = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '/' || c == '_' || c == '-' || c == '+' || c == ':';
        if (!named || len > 60) break;
        len++;
    }
    for (; len > 0; len--) {
        int16_t zone = zone_lookup((Str){r->text.data + r->at, len});
        if (zone < 0) continue;
        r->at += len;
        r->fields.has_zone = true;
        r->fields.zone = zone;
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- items */

/* Two digits, in the hundred years around the pivot. */
static bool read_short_year(Reader *r, int32_t *out) {
    int32_t digits, low = r->pivot - 50;
    if (!digit_at(r, r->at) || !digit_at(r, r->at + 1) || !read_number(r, 2, false, &digits))
        return false;
    int32_t first = (int32_t)floor_mod(low, 100);
    *out = low - first + digits + (digits < first ? 100 : 0);
    return true;
}

static bool read_day_part(Reader *r, const PatternItem *item) {
    Fields *f = &r->fields;
    int32_t value;
    if (!read_number(r, item->most, false, &value)) return false;
    switch ((PatternKind)item->kind) {
    case PATTERN_HOUR_12: f->hour_half = value % 12; return in_range(value, 1, 12);
    case PATTERN_HOUR_11: f->hour_half = value; return in_range(value, 0, 11);
    case PATTERN_HOUR_23: f->hour = value; return in_range(value, 0, 23);
    case PATTERN_HOUR_24: f->hour = value % 24; return in_range(value, 1, 24);
    case PATTERN_MINUTE: f->minute = value; return in_range(value, 0, 59);
    default: f->second = value; return in_range(value, 0, 59);
    }
}

static bool read_date_part(Reader *r, const PatternItem *item) {
    Fields *f = &r->fields;
    switch ((PatternKind)item->kind) {
    case PATTERN_CENTURY: return read_number(r, item->most, false, &f->century);
    case PATTERN_YEAR: return read_number(r, item->most, true, &f->year);
    case PATTERN_YEAR_OF_ERA: return read_number(r, item->most, false, &f->year_of_era);
    case PATTERN_WEEKYEAR: return read_number(r, item->most, true, &f->weekyear);
    case PATTERN_SHORT_YEAR: return read_short_year(r, &f->year);
    case PATTERN_SHORT_WEEKYEAR: return read_short_year(r, &f->weekyear);
    case PATTERN_WEEK: return read_number(r, 2, false, &f->week) && in_range(f->week, 1, 53);
    case PATTERN_MONTH: return read_number(r, 2, false, &f->month) && in_range(f->month, 1, 12);
    case PATTERN_DAY: return read_number(r, 2, false, &f->day) && in_range(f->day, 1, 31);
    case PATTERN_DAY_OF_YEAR:
        return read_number(r, 3, false, &f->day_of_year) && in_range(f->day_of_year, 1, 366);
    default: return read_number(r, 1, false, &f->day_of_week) && in_range(f->day_of_week, 1, 7);
    }
}

static bool read_text_part(Reader *r, const PatternItem *item) {
    static const char *const halves[] = {"AM", "PM"}, *const eras[] = {"BCE", "BC", "AD", "CE"};
    Fields *f = &r->fields;
    int32_t index = 0;
    switch ((PatternKind)item->kind) {
    case PATTERN_MONTH_NAME:
        index = read_name(r, pattern_months, 12);
        f->month = index + 1;
        return index >= 0;
    case PATTERN_DAY_NAME:
        index = read_name(r, pattern_days, 7);
        f->day_of_week = index + 1;
        return index >= 0;
    case PATTERN_HALF:
        while (index < 2 && !name_here(r, halves[index], 2)) index++;
        f->half = index;
        r->at += 2;
        return index < 2;
    default:
        while (index < 4 && !name_here(r, eras[index], strlen(eras[index]))) index++;
        if (index == 4) return false;
        f->era = index >= 2;
        r->at += strlen(eras[index]);
        return true;
    }
}

static bool read_item(Reader *r, const PatternItem *item) {
    switch ((PatternKind)item->kind) {
    case PATTERN_LITERAL: return read_literal(r, item->literal);
    case PATTERN_ERA:
    case PATTERN_MONTH_NAME:
    case PATTERN_DAY_NAME:
    case PATTERN_HALF: return read_text_part(r, item);
    case PATTERN_HOUR_12:
    case PATTERN_HOUR_11:
    case PATTERN_HOUR_23:
    case PATTERN_HOUR_24:
    case PATTERN_MINUTE:
    case PATTERN_SECOND: return read_day_part(r, item);
    case PATTERN_FRACTION: return read_fraction(r, item->most);
    case PATTERN_OFFSET:
    case PATTERN_OFFSET_COLON: return read_offset(r);
    case PATTERN_ZONE: return read_zone(r);
    default: return read_date_part(r, item);
    }
}

/* ---------------------------------------------------------------- putting together */

static bool given(int32_t field) {
    return field != ABSENT;
}

/* The year that is given in one way or another, or stands for none. */
static int32_t year_of(const Fields *f) {
    bool days = given(f->month) || given(f->day) || given(f->day_of_week) || given(f->week);
    int32_t year = days ? 2000 : 1970;
    if (given(f->year_of_era)) year = f->year_of_era;
    if (given(f->century)) year = f->century * 100 + (given(f->year_of_era) ? year % 100 : 0);
    if (given(f->era) && f->era == 0) year = 1 - year;
    return given(f->year) ? f->year : year;
}

static bool week_date(const Fields *f, int32_t *days) {
    int32_t year = given(f->weekyear) ? f->weekyear : year_of(f), found, week;
    if (!in_range(year, -9999, 9999)) return false;
    int32_t fourth = date_from_civil(year, 1, 4);
    *days = fourth - (date_day_of_week(fourth) - 1);
    *days += ((given(f->week) ? f->week : 1) - 1) * 7;
    *days += given(f->day_of_week) ? f->day_of_week - 1 : 0;
    date_iso_week(*days, &found, &week);
    return found == year;
}

static bool fields_date(const Fields *f, int32_t *days) {
    if (given(f->week) || given(f->weekyear)) return week_date(f, days);
    int32_t year = year_of(f);
    if (!in_range(year, -9999, 9999)) return false;
    if (given(f->day_of_year)) {
        *days = date_from_civil(year, 1, 1) + f->day_of_year - 1;
        if (date_to_civil(*days).year != year) return false;
    } else {
        uint32_t month = given(f->month) ? (uint32_t)f->month : 1;
        uint32_t day = given(f->day) ? (uint32_t)f->day : 1;
        if (!date_valid(year, month, day)) return false;
        *days = date_from_civil(year, month, day);
    }
    if (given(f->day_of_week)) *days += f->day_of_week - date_day_of_week(*days);
    return true;
}

static bool fields_moment(const Fields *f, Moment *m) {
    int32_t days, hour = 0;
    if (!fields_date(f, &days)) return false;
    if (given(f->hour_half)) hour = f->hour_half;
    if (given(f->half)) hour = hour % 12 + f->half * 12;
    if (given(f->hour)) hour = f->hour;
    int64_t seconds =
        hour * 3600 + (given(f->minute) ? f->minute * 60 : 0) + (given(f->second) ? f->second : 0);
    *m = (Moment){.us = days * US_PER_DAY + seconds * US_PER_SECOND + f->fraction / 1000,
                  .ns = f->fraction % 1000,
                  .has_zone = f->has_zone,
                  .zone = f->zone};
    return true;
}

bool pattern_read(const Pattern *self, Str text, Moment *m) {
    Reader r = {.text = text,
                .pivot = self->pivot,
                .fields = {.era = ABSENT,
                           .century = ABSENT,
                           .year = ABSENT,
                           .year_of_era = ABSENT,
                           .weekyear = ABSENT,
                           .week = ABSENT,
                           .month = ABSENT,
                           .day = ABSENT,
                           .day_of_year = ABSENT,
                           .day_of_week = ABSENT,
                           .half = ABSENT,
                           .hour_half = ABSENT,
                           .hour = ABSENT,
                           .minute = ABSENT,
                           .second = ABSENT}};
    for (uint32_t i = 0; i < self->count; i++) {
        if (!read_item(&r, &self->items[i])) return false;
    }
    return r.at == text.len && fields_moment(&r.fields, m);
}
