/*
 * datetime_pattern.h - patterns of dates and times, MySQL's (%Y-%m-%d), Joda's (yyyy-MM-dd) and Teradata's
 * (yyyy-mm-dd), as one list of items that writes and reads.
 */
#ifndef TRIB_FUNCTIONS_DATETIME_PATTERN_H
#define TRIB_FUNCTIONS_DATETIME_PATTERN_H

#include "engine/functions/helpers.h"
#include "engine/kernels/moment.h"

typedef enum PatternKind {
    PATTERN_LITERAL,
    PATTERN_ERA,
    PATTERN_CENTURY,
    PATTERN_YEAR,
    PATTERN_YEAR_OF_ERA,
    PATTERN_WEEKYEAR,
    PATTERN_SHORT_YEAR,     /* two digits */
    PATTERN_SHORT_WEEKYEAR, /* two digits */
    PATTERN_WEEK,
    PATTERN_MONTH,
    PATTERN_MONTH_NAME,
    PATTERN_DAY,
    PATTERN_DAY_OF_YEAR,
    PATTERN_DAY_OF_WEEK,
    PATTERN_DAY_NAME,
    PATTERN_HALF,    /* AM, PM */
    PATTERN_HOUR_12, /* 1..12 */
    PATTERN_HOUR_11, /* 0..11 */
    PATTERN_HOUR_23, /* 0..23 */
    PATTERN_HOUR_24, /* 1..24 */
    PATTERN_MINUTE,
    PATTERN_SECOND,
    PATTERN_FRACTION,
    PATTERN_OFFSET,       /* +0530 */
    PATTERN_OFFSET_COLON, /* +05:30 */
    PATTERN_ZONE          /* Europe/Berlin */
} PatternKind;

typedef struct PatternItem {
    uint8_t kind;     /* PatternKind */
    bool abbreviated; /* names: Jan, Fri */
    uint8_t least;    /* digits written at least */
    uint8_t most;     /* digits read at most */
    Str literal;      /* of the pattern's own bytes, or static */
} PatternItem;

typedef struct Pattern {
    PatternItem *items;
    uint32_t count, capacity;
    int32_t pivot; /* two-digit years are within the hundred years pivot - 50 .. pivot + 49 */
} Pattern;

extern const char *const pattern_months[12], *const pattern_days[7]; /* in English */

/* *good false: the text is no pattern, or one of something that does not exist here. The pattern's text
 * must outlive it. */
Status pattern_mysql(Arena *arena, Str text, Pattern *out, bool *good, Error *err) WARN_UNUSED;
/* now_year: Joda's two-digit years lie around thirty years before it. */
Status pattern_joda(Arena *arena, Str text, int32_t now_year, Pattern *out, bool *good,
                    Error *err) WARN_UNUSED;
/* Teradata's: yyyy, yy, mm, dd, hh (1 to 12), hh24, mi, ss, and - / , . ; : and blanks. */
Status pattern_teradata(Arena *arena, Str text, Pattern *out, bool *good, Error *err) WARN_UNUSED;
/* Appends the moment; false: the pattern asks for a zone and the moment has none. */
bool pattern_write(const Pattern *self, Moment m, Buf *out);
/* Reads the whole text into a wall clock: m->has_zone and m->zone if it named one. Fields that are missing are
 * those of 1970-01-01 00:00, the year 2000 where there are only months or days. */
bool pattern_read(const Pattern *self, Str text, Moment *m);

#endif
