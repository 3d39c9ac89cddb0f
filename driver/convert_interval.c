/*
 * convert_interval.c - intervals: the fields of the thirteen interval types, texts of their values,
 * and the writers of the C structure.
 *
 * SQL and C codes of intervals are the same numbers, so that one table of fields serves both
 * directions. A text is a value of the grammar's interval literal, with or without the keyword and
 * the braces of an escape; without a qualifier of its own it is read in the fields of its target.
 */
#include "driver/convert.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"

#define HOUR_US   (3600 * US_PER_SECOND)
#define MINUTE_US (60 * US_PER_SECOND)

/* Fields in order: year, month | day, hour, minute, second. */
enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, FIELDS };

static const int64_t field_units[FIELDS] = {
    [YEAR] = 12,      [MONTH] = 1,          [DAY] = US_PER_DAY,
    [HOUR] = HOUR_US, [MINUTE] = MINUTE_US, [SECOND] = US_PER_SECOND};
static const char *const field_names[FIELDS] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};

typedef struct Fields {
    uint8_t first, last;
} Fields;

static const Fields code_fields[] = {
    [SQL_CODE_YEAR] = {YEAR, YEAR},
    [SQL_CODE_MONTH] = {MONTH, MONTH},
    [SQL_CODE_DAY] = {DAY, DAY},
    [SQL_CODE_HOUR] = {HOUR, HOUR},
    [SQL_CODE_MINUTE] = {MINUTE, MINUTE},
    [SQL_CODE_SECOND] = {SECOND, SECOND},
    [SQL_CODE_YEAR_TO_MONTH] = {YEAR, MONTH},
    [SQL_CODE_DAY_TO_HOUR] = {DAY, HOUR},
    [SQL_CODE_DAY_TO_MINUTE] = {DAY, MINUTE},
    [SQL_CODE_DAY_TO_SECOND] = {DAY, SECOND},
    [SQL_CODE_HOUR_TO_MINUTE] = {HOUR, MINUTE},
    [SQL_CODE_HOUR_TO_SECOND] = {HOUR, SECOND},
    [SQL_CODE_MINUTE_TO_SECOND] = {MINUTE, SECOND},
};

static Fields fields_of(int16_t code) {
    return code_fields[code - SQL_C_INTERVAL_YEAR + SQL_CODE_YEAR];
}

bool interval_is_single(int16_t code) {
    return ctype_is_interval(code) && code <= SQL_C_INTERVAL_SECOND;
}

/* ---- texts */

typedef struct Reader {
    const char *at, *end;
} Reader;

static void skip_blanks(Reader *in) {
    while (in->at < in->end && *in->at == ' ') in->at++;
}

static bool take(Reader *in, char c) {
    if (in->at == in->end || *in->at != c) return false;
    in->at++;
    return true;
}

static bool take_sign(Reader *in) {
    if (take(in, '+')) return false;
    return take(in, '-');
}

/* An unsigned number; one of more than 18 digits is held at a size that no field has. */
static bool take_number(Reader *in, int64_t *out) {
    const char *start = in->at;
    *out = 0;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++)
        *out = *out > INT64_MAX / 100 ? *out : *out * 10 + (*in->at - '0');
    return in->at > start;
}

/* The digits behind the point as microseconds; *more: others that are not zero follow. */
static bool take_fraction(Reader *in, int64_t *us, bool *more) {
    const char *start = in->at;
    int64_t unit = 100000;
    *us = 0;
    for (; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++, unit /= 10) {
        *us += (*in->at - '0') * unit;
        if (unit == 0 && *in->at != '0') *more = true;
    }
    return in->at > start;
}

static bool take_word(Reader *in, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(in->end - in->at) < length ||
        !str_equal_fold((Str){in->at, length}, str_from(word)))
        return false;
    in->at += length;
    skip_blanks(in);
    return true;
}

/* A field's name and precisions: DAY(3), SECOND(2, 6). */
static bool take_field(Reader *in, uint8_t *field) {
    for (uint8_t i = 0; i < FIELDS; i++) {
        if (!take_word(in, field_names[i])) continue;
        *field = i;
        if (!take(in, '(')) return true;
        const char *close = memchr(in->at, ')', (size_t)(in->end - in->at));
        if (!close) return false;
        in->at = close + 1;
        skip_blanks(in);
        return true;
    }
    return false;
}

/* What stands between the quotes of {INTERVAL '...' DAY TO SECOND}, and its fields. */
static bool literal_open(Str *text, bool *negative, Fields *fields) {
    Reader in = {text->data, text->data + text->len};
    if (in.at < in.end && *in.at == '{') {
        if (in.end[-1] != '}') return false;
        in.at++;
        in.end--;
        skip_blanks(&in);
    }
    if (!take_word(&in, "INTERVAL")) return in.at == text->data;
    *negative = take_sign(&in);
    skip_blanks(&in);
    if (!take(&in, '\'')) return false;
    const char *close = memchr(in.at, '\'', (size_t)(in.end - in.at));
    if (!close) return false;
    *text = str_trim((Str){in.at, (size_t)(close - in.at)});
    in.at = close + 1;
    skip_blanks(&in);
    if (!take_field(&in, &fields->first)) return false;
    fields->last = fields->first;
    if (take_word(&in, "TO") && !take_field(&in, &fields->last)) return false;
    return in.at == in.end && fields->last >= fields->first;
}

static ConvertCode months_read(Reader *in, Fields fields, Int128 *out) {
    int64_t first, months;
    if (!take_number(in, &first)) return CONVERT_INVALID;
    if (take(in, '-')) {
        if (!take_number(in, &months) || months > 11) return CONVERT_INVALID;
        *out = (Int128)first * 12 + months;
    } else {
        *out = (Int128)first * field_units[fields.first];
    }
    return in->at == in->end ? CONVERT_OK : CONVERT_INVALID;
}

/* h:m[:s[.f]] or m:s[.f], whose first number was read. */
static ConvertCode clock_read(Reader *in, int64_t leading, Fields fields, bool behind_day,
                              Int128 *out, bool *more) {
    int64_t number, fraction = 0;
    int field = HOUR;
    Int128 total = 0;
    if (!behind_day && fields.first >= MINUTE) {
        Reader ahead = *in; /* two numbers are minutes and seconds there, three have hours */
        bool third = take(&ahead, ':') && take_number(&ahead, &number) && take(&ahead, ':');
        if (!third) field = MINUTE;
    }
    if (behind_day && leading > 23) return CONVERT_INVALID;
    total = (Int128)leading * field_units[field];
    while (field < SECOND && take(in, ':')) {
        if (!take_number(in, &number) || number > 59) return CONVERT_INVALID;
        total += (Int128)number * field_units[++field];
    }
    if (field == SECOND && take(in, '.') && !take_fraction(in, &fraction, more))
        return CONVERT_INVALID;
    *out = total + fraction;
    return in->at == in->end ? CONVERT_OK : CONVERT_INVALID;
}

static ConvertCode microseconds_read(Reader *in, Fields fields, Int128 *out, bool *more) {
    int64_t leading, number, fraction = 0;
    Int128 clock = 0;
    if (!take_number(in, &leading)) return CONVERT_INVALID;
    if (in->at < in->end && *in->at == ' ') {
        skip_blanks(in);
        if (!take_number(in, &number)) return CONVERT_INVALID;
        ConvertCode code = clock_read(in, number, fields, true, &clock, more);
        *out = (Int128)leading * US_PER_DAY + clock;
        return code;
    }
    if (in->at < in->end && *in->at == ':')
        return clock_read(in, leading, fields, false, out, more);
    if (fields.first == SECOND && take(in, '.') && !take_fraction(in, &fraction, more))
        return CONVERT_INVALID;
    *out = (Int128)leading * field_units[fields.first] + fraction;
    return in->at == in->end ? CONVERT_OK : CONVERT_INVALID;
}

/* Months or microseconds of a text; *more: digits behind the sixth were dropped. */
static ConvertCode text_read(Str text, int16_t code, int64_t *out, bool *more) {
    Fields fields = fields_of(code);
    bool months = fields.first <= MONTH, negative = false;
    Int128 value = 0;
    text = str_trim(text);
    if (text.len == 0 || !literal_open(&text, &negative, &fields)) return CONVERT_INVALID;
    if ((fields.first <= MONTH) != months) return CONVERT_INVALID;
    Reader in = {text.data, text.data + text.len};
    if (take_sign(&in)) negative = !negative;
    ConvertCode result =
        months ? months_read(&in, fields, &value) : microseconds_read(&in, fields, &value, more);
    if (result != CONVERT_OK) return result;
    if (value > (months ? INT32_MAX : INT64_MAX)) return CONVERT_INTERVAL;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return CONVERT_OK;
}

/* The number of a single field: exact numbers only, a fraction of seconds is kept. */
static ConvertCode number_read(const Cell *cell, int16_t code, int64_t *out, bool *more) {
    Fields fields = fields_of(code);
    if (fields.first != fields.last) return CONVERT_INTERVAL;
    int scale = fields.first == SECOND ? 6 : 0;
    Int128 value;
    ConvertCode result = cell_decimal(cell, &scale, &value, more);
    if (result == CONVERT_RANGE) return CONVERT_INTERVAL;
    if (result != CONVERT_OK) return result;
    if (fields.first != SECOND && __builtin_mul_overflow(value, field_units[fields.first], &value))
        return CONVERT_INTERVAL;
    Int128 most = fields.first <= MONTH ? INT32_MAX : INT64_MAX;
    if (value > most || value < -most) return CONVERT_INTERVAL;
    *out = (int64_t)value;
    return CONVERT_OK;
}

ConvertCode cell_interval(const Cell *cell, int16_t code, int64_t *out, bool *fraction) {
    bool months = fields_of(code).first <= MONTH;
    *fraction = false;
    switch (cell->family) {
    case FAMILY_YM:
    case FAMILY_DS:
        if ((cell->family == FAMILY_YM) != months) return CONVERT_RESTRICTED;
        *out = cell->integer;
        return CONVERT_OK;
    case FAMILY_TEXT: return text_read(cell->text, code, out, fraction);
    case FAMILY_INTEGER:
    case FAMILY_DECIMAL: return number_read(cell, code, out, fraction);
    default: return CONVERT_RESTRICTED;
    }
}

ConvertCode interval_number(const Cell *cell, int *scale, Int128 *out) {
    if (!interval_is_single(cell->interval)) return CONVERT_INTERVAL;
    int field = fields_of(cell->interval).first;
    *scale = field == SECOND && cell->integer % US_PER_SECOND != 0 ? 6 : 0;
    *out = *scale ? cell->integer : cell->integer / field_units[field];
    return CONVERT_OK;
}

/* Two digits. */
static char *put_two(char *out, uint64_t value) {
    *out++ = (char)('0' + value / 10 % 10);
    *out++ = (char)('0' + value % 10);
    return out;
}

/* The text in the fields of a C type: 51, 10:30, 2 03:04:05.678; six digits if there is a fraction. */
size_t interval_format(const Cell *cell, char *out) {
    if (!ctype_is_interval(cell->interval))
        return cell->family == FAMILY_YM ? interval_ym_format((int32_t)cell->integer, out)
                                         : interval_ds_format(cell->integer, out);
    Fields fields = fields_of(cell->interval);
    uint64_t rest = cell->integer < 0 ? 0 - (uint64_t)cell->integer : (uint64_t)cell->integer;
    char *to = out;
    if (cell->integer < 0) *to++ = '-';
    for (int field = fields.first; field <= fields.last; field++) {
        uint64_t value = rest / (uint64_t)field_units[field];
        rest %= (uint64_t)field_units[field];
        if (field == fields.first) {
            to += int64_format((int64_t)value, to);
        } else if (field == MONTH) {
            *to++ = '-';
            to += int64_format((int64_t)value, to);
        } else {
            *to++ = field == HOUR ? ' ' : ':';
            to = put_two(to, value);
        }
    }
    if (fields.last == SECOND && rest) {
        *to++ = '.';
        to = put_two(to, rest / 10000);
        to = put_two(to, rest / 100 % 100);
        to = put_two(to, rest % 100);
    }
    *to = 0;
    return (size_t)(to - out);
}

/* Whether the leading field has as many digits as were asked for; 0: none were. */
static bool leading_fits(uint64_t value, int digits) {
    static const uint32_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    if (value > UINT32_MAX) return false;
    return digits <= 0 || (size_t)digits >= COUNT_OF(powers) || value < powers[digits];
}

bool interval_holds(int64_t value, int16_t code, int leading) {
    Fields fields = fields_of(code);
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (fields.last != SECOND && size % (uint64_t)field_units[fields.last]) return false;
    return leading <= 0 || leading_fits(size / (uint64_t)field_units[fields.first], leading);
}

/* ---- writers */

/* The fraction of a second in units of the precision that was asked for. */
static SQLUINTEGER scale_fraction(uint64_t us, int precision, bool *dropped) {
    for (; precision > 6; precision--) us *= 10;
    for (; precision < 6; precision++) {
        if (us % 10) *dropped = true;
        us /= 10;
    }
    return (SQLUINTEGER)us;
}

ConvertCode interval_write(const Cell *cell, CellOut *out) {
    const ConvertPlan *plan = out->plan;
    Fields fields = fields_of(plan->ctype);
    SQL_INTERVAL_STRUCT interval;
    int64_t value = 0;
    bool fraction;
    ConvertCode code = cell_interval(cell, plan->ctype, &value, &fraction);
    if (code != CONVERT_OK) return code;
    memset(&interval, 0, sizeof interval);
    interval.interval_type = (SQLINTERVAL)(plan->ctype - SQL_C_INTERVAL_YEAR + SQL_IS_YEAR);
    interval.interval_sign = value < 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    SQL_DAY_SECOND_STRUCT *times = &interval.intval.day_second;
    SQLUINTEGER *places[FIELDS] = {&interval.intval.year_month.year,
                                   &interval.intval.year_month.month,
                                   &times->day,
                                   &times->hour,
                                   &times->minute,
                                   &times->second};
    for (int field = fields.first; field <= fields.last; field++) {
        uint64_t n = rest / (uint64_t)field_units[field];
        if (field == fields.first && !leading_fits(n, plan->leading_precision))
            return CONVERT_INTERVAL;
        *places[field] = (SQLUINTEGER)n;
        rest %= (uint64_t)field_units[field];
    }
    if (fields.last == SECOND)
        times->fraction =
            scale_fraction(rest, plan->seconds_set ? plan->seconds_precision : 6, &fraction);
    else if (rest)
        fraction = true;
    memcpy(out->data, &interval, sizeof interval);
    out->length = sizeof interval;
    return fraction ? CONVERT_FRACTION : CONVERT_OK;
}

/* ---- structures of the application */

ConvertCode interval_from_c(int16_t ctype, const void *data, int precision, Cell *out) {
    SQL_INTERVAL_STRUCT interval;
    memcpy(&interval, data, sizeof interval);
    Fields fields = fields_of(ctype);
    const SQL_DAY_SECOND_STRUCT *times = &interval.intval.day_second;
    const SQLUINTEGER values[FIELDS] = {interval.intval.year_month.year,
                                        interval.intval.year_month.month,
                                        times->day,
                                        times->hour,
                                        times->minute,
                                        times->second};
    static const SQLUINTEGER most[FIELDS] = {
        [MONTH] = 11, [HOUR] = 23, [MINUTE] = 59, [SECOND] = 59};
    Int128 total = 0;
    bool dropped = false;
    for (int field = fields.first; field <= fields.last; field++) {
        if (field > fields.first && values[field] > most[field]) return CONVERT_INTERVAL;
        total += (Int128)values[field] * field_units[field];
    }
    if (fields.last == SECOND) {
        uint64_t fraction = times->fraction;
        for (int p = precision; p < 6; p++) fraction *= 10;
        for (int p = precision; p > 6; p--) {
            if (fraction % 10) dropped = true;
            fraction /= 10;
        }
        if (dropped || fraction >= (uint64_t)US_PER_SECOND) return CONVERT_INTERVAL;
        total += fraction;
    }
    bool months = fields.first <= MONTH;
    if (total > (months ? INT32_MAX : INT64_MAX)) return CONVERT_INTERVAL;
    out->family = months ? FAMILY_YM : FAMILY_DS;
    out->interval = ctype;
    out->integer = interval.interval_sign ? -(int64_t)total : (int64_t)total;
    return CONVERT_OK;
}
