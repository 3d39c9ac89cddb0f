/*
 * datetime_pattern.c - reading patterns of dates and times, and writing moments after them.
 *
 * Both spellings become the items of Joda-Time's builder, because Trino gives both their meaning by it: least
 * numbers of digits when writing, most when reading.
 */
#include "engine/functions/datetime_pattern.h"

/* ---------------------------------------------------------------- items */

static Status item_add(Arena *arena, Pattern *self, PatternItem item, Error *err) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        TRY_ALLOC(self->items,
                  arena_resize(arena, self->items, self->capacity * sizeof(PatternItem),
                               capacity * sizeof(PatternItem)),
                  err);
        self->capacity = capacity;
    }
    self->items[self->count++] = item;
    return TRIB_OK;
}

static PatternItem literal_item(Str text) {
    return (PatternItem){.kind = PATTERN_LITERAL, .literal = text};
}

static PatternItem number_item(PatternKind kind, size_t least, size_t most) {
    return (PatternItem){.kind = (uint8_t)kind,
                         .least = (uint8_t)(least > 100 ? 100 : least),
                         .most = (uint8_t)(most > 100 ? 100 : most)};
}

static PatternItem name_item(PatternKind kind, bool abbreviated) {
    return (PatternItem){.kind = (uint8_t)kind, .abbreviated = abbreviated};
}

/* ---------------------------------------------------------------- MySQL's spelling */

typedef struct MysqlRow {
    char letter;
    uint8_t kind, least, most;
    bool abbreviated;
} MysqlRow;

static const MysqlRow mysql_rows[] = {
    {'a', PATTERN_DAY_NAME, 0, 0, true},     {'b', PATTERN_MONTH_NAME, 0, 0, true},
    {'c', PATTERN_MONTH, 1, 2, false},       {'d', PATTERN_DAY, 2, 2, false},
    {'e', PATTERN_DAY, 1, 2, false},         {'f', PATTERN_FRACTION, 6, 9, false},
    {'H', PATTERN_HOUR_23, 2, 2, false},     {'h', PATTERN_HOUR_12, 2, 2, false},
    {'I', PATTERN_HOUR_12, 2, 2, false},     {'i', PATTERN_MINUTE, 2, 2, false},
    {'j', PATTERN_DAY_OF_YEAR, 3, 3, false}, {'k', PATTERN_HOUR_23, 1, 2, false},
    {'l', PATTERN_HOUR_12, 1, 2, false},     {'M', PATTERN_MONTH_NAME, 0, 0, false},
    {'m', PATTERN_MONTH, 2, 2, false},       {'p', PATTERN_HALF, 0, 0, false},
    {'S', PATTERN_SECOND, 2, 2, false},      {'s', PATTERN_SECOND, 2, 2, false},
    {'v', PATTERN_WEEK, 2, 2, false},        {'x', PATTERN_WEEKYEAR, 4, 4, false},
    {'W', PATTERN_DAY_NAME, 0, 0, false},    {'Y', PATTERN_YEAR, 4, 4, false},
    {'y', PATTERN_SHORT_YEAR, 2, 2, false},
};

/* %T and %r stand for several. */
static Status mysql_clock(Arena *arena, bool halves, Pattern *out, Error *err) {
    PatternKind hour = halves ? PATTERN_HOUR_12 : PATTERN_HOUR_23;
    TRY(item_add(arena, out, number_item(hour, 2, 2), err));
    TRY(item_add(arena, out, literal_item(STR(":")), err));
    TRY(item_add(arena, out, number_item(PATTERN_MINUTE, 2, 2), err));
    TRY(item_add(arena, out, literal_item(STR(":")), err));
    TRY(item_add(arena, out, number_item(PATTERN_SECOND, 2, 2), err));
    if (!halves) return TRIB_OK;
    TRY(item_add(arena, out, literal_item(STR(" ")), err));
    return item_add(arena, out, name_item(PATTERN_HALF, false), err);
}

static Status mysql_letter(Arena *arena, Str text, size_t at, Pattern *out, Error *err) {
    char c = text.data[at];
    if (c == 'T' || c == 'r') return mysql_clock(arena, c == 'r', out, err);
    for (size_t i = 0; i < COUNT_OF(mysql_rows); i++) {
        const MysqlRow *row = &mysql_rows[i];
        if (row->letter != c) continue;
        PatternItem item = number_item((PatternKind)row->kind, row->least, row->most);
        item.abbreviated = row->abbreviated;
        return item_add(arena, out, item, err);
    }
    return item_add(arena, out, literal_item((Str){text.data + at, 1}), err);
}

Status pattern_mysql(Arena *arena, Str text, Pattern *out, bool *good, Error *err) {
    *out = (Pattern){.pivot = 2020};
    *good = true;
    for (size_t at = 0; at < text.len; at++) {
        size_t start = at;
        if (text.data[at] == '%' && at + 1 < text.len) {
            char c = text.data[++at];
            if (c != '\0' && strchr("DUuVwX", c) != NULL) { /* Trino has none of them either */
                *good = false;
                return TRIB_OK;
            }
            TRY(mysql_letter(arena, text, at, out, err));
            continue;
        }
        while (at + 1 < text.len && text.data[at + 1] != '%') at++;
        TRY(item_add(arena, out, literal_item((Str){text.data + start, at + 1 - start}), err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- Joda's spelling */

static size_t run_length(Str text, size_t at) {
    size_t end = at;
    while (end < text.len && text.data[end] == text.data[at]) end++;
    return end - at;
}

/* Does a number follow? Then years read as many digits as they have letters. */
static bool number_follows(Str text, size_t at) {
    if (at >= text.len) return false;
    if (text.data[at] == 'M') return run_length(text, at) <= 2;
    return text.data[at] != '\0' && strchr("CYxyedDFHhkKmsSw", text.data[at]) != NULL;
}

static PatternItem joda_year(Str text, size_t at, size_t run) {
    char c = text.data[at];
    PatternKind kind = c == 'x' ? PATTERN_WEEKYEAR : c == 'y' ? PATTERN_YEAR : PATTERN_YEAR_OF_ERA;
    if (run == 2) return number_item(c == 'x' ? PATTERN_SHORT_WEEKYEAR : PATTERN_SHORT_YEAR, 2, 2);
    return number_item(kind, run, number_follows(text, at + run) ? run : 9);
}

/* The item of a run of equal letters; false: no such letter, or no such thing here (names of zones). */
static bool joda_item(Str text, size_t at, size_t run, PatternItem *out) {
    switch (text.data[at]) {
    case 'G': *out = name_item(PATTERN_ERA, false); return true;
    case 'C': *out = number_item(PATTERN_CENTURY, run, 9); return true;
    case 'Y':
    case 'y':
    case 'x': *out = joda_year(text, at, run); return true;
    case 'w': *out = number_item(PATTERN_WEEK, run, 2); return true;
    case 'e': *out = number_item(PATTERN_DAY_OF_WEEK, run, 1); return true;
    case 'E': *out = name_item(PATTERN_DAY_NAME, run < 4); return true;
    case 'D': *out = number_item(PATTERN_DAY_OF_YEAR, run, 3); return true;
    case 'M':
        *out =
            run >= 3 ? name_item(PATTERN_MONTH_NAME, run == 3) : number_item(PATTERN_MONTH, run, 2);
        return true;
    case 'd': *out = number_item(PATTERN_DAY, run, 2); return true;
    case 'a': *out = name_item(PATTERN_HALF, false); return true;
    case 'h': *out = number_item(PATTERN_HOUR_12, run, 2); return true;
    case 'K': *out = number_item(PATTERN_HOUR_11, run, 2); return true;
    case 'H': *out = number_item(PATTERN_HOUR_23, run, 2); return true;
    case 'k': *out = number_item(PATTERN_HOUR_24, run, 2); return true;
    case 'm': *out = number_item(PATTERN_MINUTE, run, 2); return true;
    case 's': *out = number_item(PATTERN_SECOND, run, 2); return true;
    case 'S': *out = number_item(PATTERN_FRACTION, run, run); return true;
    case 'Z':
        *out = name_item(run == 1   ? PATTERN_OFFSET
                         : run == 2 ? PATTERN_OFFSET_COLON
                                    : PATTERN_ZONE,
                         false);
        return true;
    default: return false;
    }
}

/* At a quotation mark: the text up to the next one; two are one mark. */
static Status joda_quoted(Arena *arena, Str text, size_t *at, Pattern *out, Error *err) {
    size_t start = ++*at;
    if (start < text.len && text.data[start] == '\'') {
        ++*at;
        return item_add(arena, out, literal_item(STR("'")), err);
    }
    while (*at < text.len) {
        if (text.data[*at] != '\'') {
            ++*at;
            continue;
        }
        TRY(item_add(arena, out, literal_item((Str){text.data + start, *at - start}), err));
        ++*at;
        if (*at == text.len || text.data[*at] != '\'') return TRIB_OK;
        start = (*at)++; /* a doubled mark within: it begins the next piece */
    }
    return item_add(arena, out, literal_item((Str){text.data + start, *at - start}), err);
}

static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

Status pattern_joda(Arena *arena, Str text, int32_t now_year, Pattern *out, bool *good,
                    Error *err) {
    *out = (Pattern){.pivot = now_year - 30};
    *good = text.len > 0;
    for (size_t at = 0; at < text.len;) {
        char c = text.data[at];
        if (c == '\'') {
            TRY(joda_quoted(arena, text, &at, out, err));
        } else if (letter(c)) {
            PatternItem item;
            size_t run = run_length(text, at);
            if (!joda_item(text, at, run, &item)) {
                *good = false;
                return TRIB_OK;
            }
            TRY(item_add(arena, out, item, err));
            at += run;
        } else {
            size_t start = at;
            while (at < text.len && text.data[at] != '\'' && !letter(text.data[at])) at++;
            TRY(item_add(arena, out, literal_item((Str){text.data + start, at - start}), err));
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- Teradata's spelling */

typedef struct TeradataRow {
    const char *letters;
    uint8_t kind, digits;
} TeradataRow;

static const TeradataRow teradata_rows[] = {
    /* the longer ones first */
    {"yyyy", PATTERN_YEAR, 4},  {"hh24", PATTERN_HOUR_23, 2}, {"yy", PATTERN_SHORT_YEAR, 2},
    {"mm", PATTERN_MONTH, 2},   {"mi", PATTERN_MINUTE, 2},    {"dd", PATTERN_DAY, 2},
    {"hh", PATTERN_HOUR_12, 2}, {"ss", PATTERN_SECOND, 2},
};

Status pattern_teradata(Arena *arena, Str text, Pattern *out, bool *good, Error *err) {
    *out = (Pattern){.pivot = 2050};
    *good = text.len > 0;
    for (size_t at = 0; at < text.len && *good;) {
        const TeradataRow *row = NULL;
        for (size_t i = 0; i < COUNT_OF(teradata_rows) && !row; i++) {
            size_t length = strlen(teradata_rows[i].letters);
            if (text.len - at >= length &&
                memcmp(text.data + at, teradata_rows[i].letters, length) == 0)
                row = &teradata_rows[i];
        }
        char c = text.data[at];
        *good = row || (c != '\0' && strchr("-/,.;: ", c) != NULL);
        if (!*good) return TRIB_OK;
        PatternItem item = row ? number_item((PatternKind)row->kind, row->digits, row->digits)
                               : literal_item((Str){text.data + at, 1});
        TRY(item_add(arena, out, item, err));
        at += row ? strlen(row->letters) : 1;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- writing */

const char *const pattern_months[12] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
const char *const pattern_days[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                     "Friday", "Saturday", "Sunday"};

static void write_name(Buf *out, const char *name, bool abbreviated) {
    if (abbreviated) {
        buf_printf(out, "%.3s", name);
    } else {
        buf_text(out, name);
    }
}

static void write_fraction(Buf *out, int32_t ns, uint8_t least, uint8_t most) {
    char digits[10];
    text_format(digits, sizeof(digits), "%09d", ns);
    int len = most < 9 ? most : 9;
    while (len > least && digits[len - 1] == '0') len--;
    buf_add(out, digits, (size_t)len);
    for (int i = len; i < least; i++) buf_char(out, '0');
}

static bool write_zone(Buf *out, Moment m, PatternKind kind) {
    if (!m.has_zone) return false;
    if (kind == PATTERN_ZONE) {
        buf_text(out, zone_name(m.zone));
        return true;
    }
    int32_t offset = zone_offset_at(m.zone, zone_local_to_utc(m.zone, m.us));
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    buf_printf(out, "%c%02d%s%02d", offset < 0 ? '-' : '+', minutes / 60,
               kind == PATTERN_OFFSET_COLON ? ":" : "", minutes % 60);
    return true;
}

/* The number of an item that is one. */
static int32_t item_number(PatternKind kind, int32_t days, CivilTime time) {
    CivilDate date = date_to_civil(days);
    int32_t year, week;
    date_iso_week(days, &year, &week);
    switch (kind) {
    case PATTERN_CENTURY: return (date.year > 0 ? date.year : 1 - date.year) / 100;
    case PATTERN_YEAR: return date.year;
    case PATTERN_YEAR_OF_ERA: return date.year > 0 ? date.year : 1 - date.year;
    case PATTERN_WEEKYEAR: return year;
    case PATTERN_SHORT_YEAR: return (int32_t)floor_mod(date.year, 100);
    case PATTERN_SHORT_WEEKYEAR: return (int32_t)floor_mod(year, 100);
    case PATTERN_WEEK: return week;
    case PATTERN_MONTH: return date.month;
    case PATTERN_DAY: return date.day;
    case PATTERN_DAY_OF_YEAR: return date_day_of_year(days);
    case PATTERN_DAY_OF_WEEK: return date_day_of_week(days);
    case PATTERN_HOUR_12: return time.hour % 12 == 0 ? 12 : time.hour % 12;
    case PATTERN_HOUR_11: return time.hour % 12;
    case PATTERN_HOUR_23: return time.hour;
    case PATTERN_HOUR_24: return time.hour == 0 ? 24 : time.hour;
    case PATTERN_MINUTE: return time.minute;
    default: return time.second;
    }
}

bool pattern_write(const Pattern *self, Moment m, Buf *out) {
    int32_t days = moment_days(m);
    CivilTime time = time_to_civil(floor_mod(m.us, US_PER_DAY) * 1000 + m.ns);
    for (uint32_t i = 0; i < self->count; i++) {
        const PatternItem *item = &self->items[i];
        PatternKind kind = (PatternKind)item->kind;
        switch (kind) {
        case PATTERN_LITERAL: buf_str(out, item->literal); break;
        case PATTERN_ERA: buf_text(out, date_to_civil(days).year > 0 ? "AD" : "BC"); break;
        case PATTERN_MONTH_NAME:
            write_name(out, pattern_months[date_to_civil(days).month - 1], item->abbreviated);
            break;
        case PATTERN_DAY_NAME:
            write_name(out, pattern_days[date_day_of_week(days) - 1], item->abbreviated);
            break;
        case PATTERN_HALF: buf_text(out, time.hour < 12 ? "AM" : "PM"); break;
        case PATTERN_FRACTION: /* these functions take timestamps of milliseconds */
            write_fraction(out, time.ns - time.ns % 1000000, item->least, item->most);
            break;
        case PATTERN_OFFSET:
        case PATTERN_OFFSET_COLON:
        case PATTERN_ZONE:
            if (!write_zone(out, m, kind)) return false;
            break;
        default: {
            int32_t number = item_number(kind, days, time);
            if (number < 0) buf_char(out, '-');
            buf_printf(out, "%0*d", item->least, number < 0 ? -number : number);
        }
        }
    }
    return true;
}
