/*
 * zone.c - time zones from the system's TZif files (RFC 8536), versions 1 to 4.
 *
 * A zone is loaded at first use, kept for the life of the process and immutable from then on.
 * Loaded zones stand in two tables of atomic pointers, by id and by name, which are read without a
 * lock; one mutex serialises loading. The rule of the file's footer (a POSIX TZ string) is unrolled
 * into transitions up to the year 2100 and computed for later instants.
 *
 * Names come from SQL text and remote data: only names of the shape of IANA's reach the file
 * system, and every count of a file is checked against its size.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine/base/calendar.h"
#include "engine/base/map.h"
#include "engine/base/os.h"

#define ZONE_MAX        2048
#define ZONE_SLOTS      (4 * ZONE_MAX)
#define ZONE_NAME_MAX   63
#define ZONE_FILE_MAX   ((size_t)1 << 20)
#define UNROLL_YEAR     2100
#define OFFSET_MINUTES  840
#define SECONDS_PER_DAY INT64_C(86400)
#define LOCAL_WINDOW    (26 * INT64_C(3600)) /* no offset is larger (RFC 8536, 3.2) */

/* When a part of the year begins: Mm.w.d, Jn or n, at a second of that day. */
typedef struct RuleDate {
    char kind; /* 'M', 'J' (1..365, never February 29th) or 'N' (0..365) */
    int32_t month, week, day;
    int32_t second;
} RuleDate;

typedef struct Rule {
    bool present, summer; /* summer: the year has two parts */
    int32_t standard_offset, summer_offset;
    RuleDate summer_begin, summer_end;
} Rule;

typedef struct Zone {
    int16_t id;
    uint32_t count;   /* transitions */
    int64_t *moments; /* UTC seconds, ascending */
    int32_t *offsets; /* in force from moments[i] on */
    int32_t first;    /* in force before moments[0] */
    Rule rule;        /* in force from moments[count - 1] on */
    char name[ZONE_NAME_MAX + 1];
} Zone;

static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic uint32_t zones_stamp;
static _Atomic(Zone *) zones_by_id[ZONE_MAX + 1];
static _Atomic(Zone *) zones_by_name[ZONE_SLOTS];
static int16_t zones_count; /* guarded by zones_lock */

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t quotient = a / b;
    return quotient - (a % b < 0);
}

/* ---------------------------------------------------------------- the footer's rule */

typedef struct RuleText {
    const char *at, *end;
} RuleText;

static bool rule_take(RuleText *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool rule_number(RuleText *in, int32_t high, int32_t *out) {
    int32_t value = 0;
    const char *begin = in->at;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        value = value * 10 + (*in->at++ - '0');
        if (value > high) return false;
    }
    *out = value;
    return in->at > begin;
}

static bool rule_name(RuleText *in) {
    const char *begin = in->at;
    if (rule_take(in, '<')) {
        while (in->at < in->end && *in->at != '>') in->at++;
        return rule_take(in, '>');
    }
    while (in->at < in->end && ((*in->at | 0x20) >= 'a' && (*in->at | 0x20) <= 'z')) in->at++;
    return in->at - begin >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds; up to 167 hours (RFC 8536, 3.3.1). */
static bool rule_seconds(RuleText *in, int32_t *out) {
    int32_t hours, minutes = 0, seconds = 0;
    bool negative = rule_take(in, '-');
    if (!negative) rule_take(in, '+');
    if (!rule_number(in, 167, &hours)) return false;
    if (rule_take(in, ':')) {
        if (!rule_number(in, 59, &minutes)) return false;
        if (rule_take(in, ':') && !rule_number(in, 59, &seconds)) return false;
    }
    int32_t value = hours * 3600 + minutes * 60 + seconds;
    *out = negative ? -value : value;
    return true;
}

static bool rule_date(RuleText *in, RuleDate *out) {
    *out = (RuleDate){.kind = 'N', .second = 2 * 3600};
    if (!rule_take(in, ',')) return false;
    if (rule_take(in, 'M')) {
        out->kind = 'M';
        if (!rule_number(in, 12, &out->month) || out->month < 1 || !rule_take(in, '.') ||
            !rule_number(in, 5, &out->week) || out->week < 1 || !rule_take(in, '.') ||
            !rule_number(in, 6, &out->day))
            return false;
    } else {
        if (rule_take(in, 'J')) out->kind = 'J';
        if (!rule_number(in, 365, &out->day) || (out->kind == 'J' && out->day < 1)) return false;
    }
    return !rule_take(in, '/') || rule_seconds(in, &out->second);
}

static bool rule_parse(Str text, Rule *out) {
    RuleText in = {text.data, text.data + text.len};
    *out = (Rule){0};
    if (text.len == 0) return true; /* no rule: the last transition stays in force */
    out->present = true;
    if (!rule_name(&in) || !rule_seconds(&in, &out->standard_offset)) return false;
    out->standard_offset = -out->standard_offset; /* POSIX counts westwards */
    if (in.at == in.end) return true;
    out->summer = true;
    if (!rule_name(&in)) return false;
    out->summer_offset = out->standard_offset + 3600;
    if (in.at < in.end && *in.at != ',') {
        if (!rule_seconds(&in, &out->summer_offset)) return false;
        out->summer_offset = -out->summer_offset;
    }
    return rule_date(&in, &out->summer_begin) && rule_date(&in, &out->summer_end) &&
           in.at == in.end;
}

/* Wall-clock seconds since 1970 at which the rule's date comes in a year. */
static int64_t rule_moment(const RuleDate *date, int32_t year) {
    int64_t day;
    if (date->kind == 'M') {
        int32_t first = date_from_civil(year, (uint32_t)date->month, 1);
        int32_t ahead = (date->day - date_day_of_week(first) + 7) % 7; /* ISO's 7 is Sunday, 0 */
        int32_t last = (int32_t)date_days_in_month(year, (uint32_t)date->month);
        int32_t in_month = ahead + (date->week - 1) * 7;
        while (in_month >= last) in_month -= 7;
        day = first + in_month;
    } else {
        day = date_from_civil(year, 1, 1);
        if (date->kind == 'N')
            day += date->day;
        else
            day += date->day - 1 + (date->day >= 60 && date_days_in_month(year, 2) == 29);
    }
    return day * SECONDS_PER_DAY + date->second;
}

static void rule_year(const Rule *rule, int32_t year, int64_t *begin, int64_t *end) {
    *begin = rule_moment(&rule->summer_begin, year) - rule->standard_offset;
    *end = rule_moment(&rule->summer_end, year) - rule->summer_offset;
}

static int32_t year_of(int64_t seconds) {
    int64_t day = floor_div(seconds, SECONDS_PER_DAY);
    if (day > INT32_MAX) day = INT32_MAX;
    if (day < INT32_MIN) day = INT32_MIN;
    return date_to_civil((int32_t)day).year;
}

static int32_t rule_offset_at(const Rule *rule, int64_t seconds) {
    int64_t begin, end;
    if (!rule->summer) return rule->standard_offset;
    rule_year(rule, year_of(seconds + rule->standard_offset), &begin, &end);
    bool summer =
        begin < end ? seconds >= begin && seconds < end : !(seconds >= end && seconds < begin);
    return summer ? rule->summer_offset : rule->standard_offset;
}

/* The first change of the rule after a moment; false if it never changes. */
static bool rule_next(const Rule *rule, int64_t after, int64_t *moment) {
    if (!rule->present || !rule->summer) return false;
    int32_t year = year_of(after);
    bool found = false;
    for (int32_t y = year - 1; y <= year + 1; y++) {
        int64_t both[2];
        rule_year(rule, y, &both[0], &both[1]);
        for (int i = 0; i < 2; i++) {
            if (both[i] <= after || (found && both[i] >= *moment)) continue;
            *moment = both[i];
            found = true;
        }
    }
    return found;
}

/* ---------------------------------------------------------------- the file */

typedef struct TzHeader {
    char version;
    uint32_t isutc, isstd, leap, times, types, chars;
} TzHeader;

static uint32_t big_32(const char *at) {
    const unsigned char *p = (const unsigned char *)at;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t big_time(const char *at, size_t width) {
    if (width == 4) return (int32_t)big_32(at);
    return (int64_t)((uint64_t)big_32(at) << 32 | big_32(at + 4));
}

#define TZ_HEADER 44

static bool header_read(Str file, TzHeader *out) {
    if (file.len < TZ_HEADER || memcmp(file.data, "TZif", 4) != 0) return false;
    const char *counts = file.data + 20;
    *out = (TzHeader){.version = file.data[4],
                      .isutc = big_32(counts),
                      .isstd = big_32(counts + 4),
                      .leap = big_32(counts + 8),
                      .times = big_32(counts + 12),
                      .types = big_32(counts + 16),
                      .chars = big_32(counts + 20)};
    return true;
}

/* Bytes of the block behind a header whose times have `width` bytes. */
static uint64_t block_bytes(const TzHeader *h, size_t width) {
    return (uint64_t)h->times * width + h->times + (uint64_t)h->types * 6 + h->chars +
           (uint64_t)h->leap * (width + 4) + h->isstd + h->isutc;
}

static bool transitions_add(Zone *zone, int64_t moment, int32_t offset, uint32_t room) {
    if (zone->count == room || (zone->count > 0 && moment <= zone->moments[zone->count - 1]))
        return false;
    zone->moments[zone->count] = moment;
    zone->offsets[zone->count++] = offset;
    return true;
}

/* Writes the footer's rule out as transitions, so that today's dates are found by binary search. */
static void zone_unroll(Zone *zone, uint32_t room) {
    if (zone->count == 0) return; /* the rule holds for all time */
    int64_t at = zone->moments[zone->count - 1];
    while (rule_next(&zone->rule, at, &at) && year_of(at) < UNROLL_YEAR) {
        if (!transitions_add(zone, at, rule_offset_at(&zone->rule, at), room)) break;
    }
}

static bool block_read(Str data, const TzHeader *h, size_t width, Zone *zone) {
    const char *times = data.data, *indexes = times + (size_t)h->times * width;
    const char *types = indexes + h->times;
    uint32_t room = h->times + 2 * (UNROLL_YEAR - 1900);
    zone->moments = heap_alloc(room * sizeof *zone->moments);
    zone->offsets = heap_alloc(room * sizeof *zone->offsets);
    if (!zone->moments || !zone->offsets) return false;
    zone->first = (int32_t)big_32(types);
    for (uint32_t i = 0; i < h->times; i++) {
        uint8_t type = (uint8_t)indexes[i];
        if (type >= h->types) return false;
        int32_t offset = (int32_t)big_32(types + 6 * (size_t)type);
        if (offset < -LOCAL_WINDOW || offset > LOCAL_WINDOW) return false;
        if (!transitions_add(zone, big_time(times + i * width, width), offset, room)) return false;
    }
    if (zone->first < -LOCAL_WINDOW || zone->first > LOCAL_WINDOW) return false;
    zone_unroll(zone, room);
    return true;
}

/* Reads a whole file into a zone; false if it is not a TZif file that can be trusted. */
static bool zone_read(Str file, Zone *zone) {
    TzHeader h;
    size_t width = 4;
    Str footer = {0};
    if (!header_read(file, &h)) return false;
    if (h.version >= '2') {
        uint64_t skip = TZ_HEADER + block_bytes(&h, 4);
        if (skip > file.len) return false;
        file = (Str){file.data + skip, file.len - (size_t)skip};
        if (!header_read(file, &h)) return false;
        width = 8;
    }
    file = (Str){file.data + TZ_HEADER, file.len - TZ_HEADER};
    uint64_t bytes = block_bytes(&h, width);
    /* Leap seconds would shift every moment: such files ("right/...") are refused. */
    if (bytes > file.len || h.types == 0 || h.leap != 0) return false;
    if (width == 8) {
        Str rest = {file.data + bytes, file.len - (size_t)bytes};
        if (rest.len < 2 || rest.data[0] != '\n') return false;
        const char *end = memchr(rest.data + 1, '\n', rest.len - 1);
        if (!end) return false;
        footer = (Str){rest.data + 1, (size_t)(end - rest.data - 1)};
    }
    return rule_parse(footer, &zone->rule) && block_read(file, &h, width, zone);
}

/* ---------------------------------------------------------------- loading */

/* Letters, digits, "_", "-", "+" in parts separated by single slashes: no dots, no absolute
 * paths. */
static bool name_plausible(Str name) {
    if (name.len == 0 || name.len > ZONE_NAME_MAX) return false;
    bool part = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (c == '/') {
            if (!part) return false;
            part = false;
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-' || c == '+') {
            part = true;
        } else {
            return false;
        }
    }
    return part;
}

static const char *const zone_folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                           "/usr/share/lib/zoneinfo", "/etc/zoneinfo"};

/* The nth folder to look into; TZDIR comes first. NULL after the last. */
static const char *zone_folder(size_t n) {
    const char *own = os_env("TZDIR");
    if (own && own[0] == '/' && n-- == 0) return own;
    return n < COUNT_OF(zone_folders) ? zone_folders[n] : NULL;
}

static void zone_free(Zone *zone) {
    if (!zone) return;
    heap_free(zone->moments);
    heap_free(zone->offsets);
    heap_free(zone);
}

static Zone *zone_load(Str name) {
    Arena *arena = arena_new(NULL);
    Zone *zone = heap_alloc(sizeof *zone);
    bool found = false;
    if (arena && zone) {
        memcpy(zone->name, name.data, name.len);
        const char *folder;
        for (size_t i = 0; !found && (folder = zone_folder(i)) != NULL; i++) {
            char *path = arena_printf(arena, "%s/%s", folder, zone->name);
            Str file;
            if (path && os_read_file(arena, path, ZONE_FILE_MAX, &file, NULL) == TRIB_OK)
                found = zone_read(file, zone);
            else
                continue;
            if (!found) break; /* a file of that name is there, but it is no zone */
        }
    }
    arena_free(arena);
    if (found) return zone;
    zone_free(zone);
    return NULL;
}

/* The zone of that name among those loaded; *slot is where it is or belongs. */
static Zone *zone_find(Str name, size_t *slot) {
    size_t at = hash_bytes(name.data, name.len, hash_seed()) % ZONE_SLOTS;
    for (;;) {
        Zone *zone = atomic_load_explicit(&zones_by_name[at], memory_order_acquire);
        *slot = at;
        if (!zone || str_equal(str_from(zone->name), name)) return zone;
        at = (at + 1) % ZONE_SLOTS; /* a quarter full at most */
    }
}

static int16_t zone_named(Str name) {
    size_t slot;
    if (!name_plausible(name)) return -1;
    Zone *zone = zone_find(name, &slot);
    if (zone) return zone->id;
    (void)os_lock_forked(&zones_lock, &zones_stamp);
    zone = zone_find(name, &slot);
    if (!zone && zones_count < ZONE_MAX && (zone = zone_load(name)) != NULL) {
        zone->id = ++zones_count;
        atomic_store_explicit(&zones_by_id[zone->id], zone, memory_order_release);
        atomic_store_explicit(&zones_by_name[slot], zone, memory_order_release);
    }
    pthread_mutex_unlock(&zones_lock);
    return zone ? zone->id : -1;
}

/* ---------------------------------------------------------------- ids and names */

/* [+-]H, HH, HMM, HHMM, H:MM, HH:MM; false for anything else or beyond 14 hours. */
static bool offset_parse(Str text, int16_t *minutes) {
    int32_t value[2] = {0, 0};
    size_t digits[2] = {0, 0}, part = 0;
    if (text.len < 2 || (text.data[0] != '+' && text.data[0] != '-')) return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];
        if (c == ':' && part == 0) {
            part = 1;
            continue;
        }
        if (c < '0' || c > '9' || ++digits[part] > 4) return false;
        value[part] = value[part] * 10 + (c - '0');
    }
    if (part == 1) {
        if (digits[0] < 1 || digits[0] > 2 || digits[1] != 2) return false;
    } else if (digits[0] > 2) {
        value[1] = value[0] % 100;
        value[0] /= 100;
    }
    int32_t total = value[0] * 60 + value[1];
    if (value[1] > 59 || total > OFFSET_MINUTES) return false;
    *minutes = (int16_t)(text.data[0] == '-' ? -total : total);
    return true;
}

int16_t zone_lookup(Str name) {
    static const Str utc[] = {{"UTC", 3},      {"Z", 1},         {"GMT", 3},
                              {"UT", 2},       {"UCT", 3},       {"Etc/UTC", 7},
                              {"Etc/GMT", 7},  {"Etc/UCT", 7},   {"Zulu", 4},
                              {"Etc/Zulu", 8}, {"Universal", 9}, {"Etc/Universal", 13}};
    int16_t minutes;
    for (size_t i = 0; i < COUNT_OF(utc); i++) {
        if (name.len == utc[i].len && str_equal_fold(name, utc[i])) return ZONE_UTC;
    }
    Str offset = name;
    if (name.len > 3 && (str_equal_fold((Str){name.data, 3}, STR("UTC")) ||
                         str_equal_fold((Str){name.data, 3}, STR("GMT"))))
        offset = (Str){name.data + 3, name.len - 3};
    if (offset_parse(offset, &minutes))
        return minutes == 0 ? ZONE_UTC : (int16_t)(ZONE_OFFSET_BASE + minutes);
    return zone_named(name);
}

Status zone_resolve(Str name, int16_t *zone, Error *err) {
    *zone = zone_lookup(name);
    if (*zone >= 0) return TRIB_OK;
    (void)error_set(err, ERR_INVALID_ARGUMENT, "unknown time zone '" STR_FORMAT "'",
                    STR_ARGS(name));
    const char *folder;
    for (size_t i = 0; (folder = zone_folder(i)) != NULL; i++) {
        if (access(folder, R_OK | X_OK) == 0)
            return error_hint(err, "use a name such as Europe/Berlin (upper and lower case matter) "
                                   "or an offset such as +02:00");
    }
    return error_hint(err,
                      "this system has no time zone data, so that only UTC and offsets such as "
                      "+02:00 are known: install the package tzdata");
}

static const Zone *zone_of(int16_t id) {
    if (id <= 0 || id > ZONE_MAX) return NULL;
    return atomic_load_explicit(&zones_by_id[id], memory_order_acquire);
}

static bool fixed_offset(int16_t id, int32_t *minutes) {
    *minutes = id - ZONE_OFFSET_BASE;
    return *minutes >= -OFFSET_MINUTES && *minutes <= OFFSET_MINUTES;
}

#define OFFSET_NAME 8 /* "+02:00", NUL */

static pthread_once_t names_once = PTHREAD_ONCE_INIT;
static char offset_names[2 * OFFSET_MINUTES + 1][OFFSET_NAME];

static void names_make(void) {
    for (int minutes = -OFFSET_MINUTES; minutes <= OFFSET_MINUTES; minutes++) {
        unsigned size = (unsigned)(minutes < 0 ? -minutes : minutes) % (OFFSET_MINUTES + 1);
        text_format(offset_names[minutes + OFFSET_MINUTES], OFFSET_NAME, "%c%02u:%02u",
                    minutes < 0 ? '-' : '+', size / 60 % 100, size % 60);
    }
}

const char *zone_name(int16_t id) {
    int32_t minutes;
    const Zone *zone = zone_of(id);
    if (zone) return zone->name;
    if (!fixed_offset(id, &minutes)) return "UTC";
    pthread_once(&names_once, names_make);
    return offset_names[minutes + OFFSET_MINUTES];
}

/* ---------------------------------------------------------------- offsets */

/* How many transitions lie at or before a moment. */
static uint32_t zone_passed(const Zone *zone, int64_t seconds) {
    uint32_t low = 0, high = zone->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->moments[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t offset_in(const Zone *zone, int64_t seconds) {
    uint32_t passed = zone_passed(zone, seconds);
    if (passed == zone->count && zone->rule.present) return rule_offset_at(&zone->rule, seconds);
    return passed == 0 ? zone->first : zone->offsets[passed - 1];
}

int32_t zone_offset_at(int16_t id, int64_t utc_us) {
    int32_t minutes;
    const Zone *zone = zone_of(id);
    if (zone) return offset_in(zone, floor_div(utc_us, US_PER_SECOND));
    return fixed_offset(id, &minutes) ? minutes * 60 : 0;
}

static bool transition_next(const Zone *zone, int64_t after, int64_t *moment) {
    uint32_t passed = zone_passed(zone, after);
    if (passed == zone->count) return rule_next(&zone->rule, after, moment);
    *moment = zone->moments[passed];
    return true;
}

/* Walks the stretches between transitions around the moment, the earlier offset first, so that of
 * two readings of a repeated hour the earlier one is taken. In a gap the offset before it is
 * applied. */
int64_t zone_local_to_utc(int16_t id, int64_t local_us) {
    const Zone *zone = zone_of(id);
    int64_t out;
    int32_t offset;
    if (!zone) {
        offset = zone_offset_at(id, 0);
    } else {
        int64_t local = floor_div(local_us, US_PER_SECOND);
        int64_t at = local - LOCAL_WINDOW, moment;
        offset = offset_in(zone, at);
        while (transition_next(zone, at, &moment) && moment <= local + LOCAL_WINDOW) {
            int32_t after = offset_in(zone, moment);
            int32_t larger = after > offset ? after : offset;
            if (local < moment + larger) break;
            offset = after;
            at = moment;
        }
    }
    if (__builtin_sub_overflow(local_us, offset * US_PER_SECOND, &out))
        return local_us < 0 ? INT64_MIN : INT64_MAX;
    return out;
}
