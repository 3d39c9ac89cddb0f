/*
 * convert_cell.c - values out of columns as cells, and the common forms that every conversion goes
 * through: integer, real, decimal, date, time, timestamp, text.
 *
 * Truncation is towards zero and reported; rounding happens nowhere. Threads: any. Memory: none but
 * the caller's buffer for nested values.
 */
#include <math.h>

#include "driver/convert.h"
#include "engine/base/bitmap.h"
#include "engine/base/calendar.h"
#include "engine/base/number.h"
#include "engine/base/os.h"

static const uint8_t source_families[SRC_COUNT] = {
    [SRC_NULL] = FAMILY_TEXT,
    [SRC_BOOL] = FAMILY_BOOL,
    [SRC_INT8] = FAMILY_INTEGER,
    [SRC_INT16] = FAMILY_INTEGER,
    [SRC_INT32] = FAMILY_INTEGER,
    [SRC_INT64] = FAMILY_INTEGER,
    [SRC_DEC64] = FAMILY_DECIMAL,
    [SRC_DEC128] = FAMILY_DECIMAL,
    [SRC_FLOAT] = FAMILY_REAL,
    [SRC_DOUBLE] = FAMILY_REAL,
    [SRC_TEXT] = FAMILY_TEXT,
    [SRC_BYTES] = FAMILY_BYTES,
    [SRC_DATE] = FAMILY_DATE,
    [SRC_TIME] = FAMILY_TIME,
    [SRC_TIMETZ] = FAMILY_TIME,
    [SRC_TIMESTAMP] = FAMILY_TIMESTAMP,
    [SRC_INSTANT] = FAMILY_TIMESTAMP,
    [SRC_ZONED] = FAMILY_TIMESTAMP,
    [SRC_YM] = FAMILY_YM,
    [SRC_DS] = FAMILY_DS,
    [SRC_UUID] = FAMILY_UUID,
    [SRC_NESTED] = FAMILY_NESTED,
};

Family convert_family(Source source) {
    return (Family)source_families[source];
}

Source convert_source(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_UNKNOWN: return SRC_NULL;
    case TRIB_TYPE_BOOLEAN: return SRC_BOOL;
    case TRIB_TYPE_TINYINT: return SRC_INT8;
    case TRIB_TYPE_SMALLINT: return SRC_INT16;
    case TRIB_TYPE_INTEGER: return SRC_INT32;
    case TRIB_TYPE_BIGINT: return SRC_INT64;
    case TRIB_TYPE_REAL: return SRC_FLOAT;
    case TRIB_TYPE_DOUBLE: return SRC_DOUBLE;
    case TRIB_TYPE_DECIMAL: return type.precision <= 18 ? SRC_DEC64 : SRC_DEC128;
    case TRIB_TYPE_VARBINARY: return SRC_BYTES;
    case TRIB_TYPE_DATE: return SRC_DATE;
    case TRIB_TYPE_TIME: return SRC_TIME;
    case TRIB_TYPE_TIME_TZ: return SRC_TIMETZ;
    case TRIB_TYPE_TIMESTAMP: return type.precision <= 6 ? SRC_TIMESTAMP : SRC_INSTANT;
    case TRIB_TYPE_TIMESTAMP_TZ: return SRC_ZONED;
    case TRIB_TYPE_INTERVAL_YM: return SRC_YM;
    case TRIB_TYPE_INTERVAL_DS: return SRC_DS;
    case TRIB_TYPE_UUID: return SRC_UUID;
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW: return SRC_NESTED;
    default: return SRC_TEXT;
    }
}

static void load_instant(const ColumnView *column, Source source, uint32_t at, Cell *out) {
    if (source == SRC_TIMESTAMP) {
        out->instant.us = ((const int64_t *)column->data)[at];
    } else if (source == SRC_INSTANT) {
        const Instant *value = &((const Instant *)column->data)[at];
        out->instant.us = value->us;
        out->instant.ns = value->ns;
    } else {
        const ZonedInstant *value = &((const ZonedInstant *)column->data)[at];
        out->zoned = true;
        out->instant.us = value->us;
        out->instant.ns = value->ns;
        out->instant.zone = value->zone;
    }
}

void cell_load(const ColumnView *column, Source source, uint32_t at, Cell *out) {
    const void *data = column->data;
    memset(out, 0, sizeof *out);
    out->family = source_families[source];
    out->scale = column->type.scale;
    out->precision = column->type.precision;
    switch (source) {
    case SRC_NULL: out->text = STR(""); break;
    case SRC_BOOL: out->integer = ((const uint8_t *)data)[at] != 0; break;
    case SRC_INT8: out->integer = ((const int8_t *)data)[at]; break;
    case SRC_INT16: out->integer = ((const int16_t *)data)[at]; break;
    case SRC_INT32:
    case SRC_DATE:
    case SRC_YM: out->integer = ((const int32_t *)data)[at]; break;
    case SRC_INT64:
    case SRC_DS: out->integer = ((const int64_t *)data)[at]; break;
    case SRC_DEC64: out->decimal = ((const int64_t *)data)[at]; break;
    case SRC_DEC128: memcpy(&out->decimal, (const char *)data + (size_t)at * 16, 16); break;
    case SRC_FLOAT:
        out->single = true;
        out->real = (double)((const float *)data)[at];
        break;
    case SRC_DOUBLE: out->real = ((const double *)data)[at]; break;
    case SRC_TEXT:
    case SRC_BYTES: out->text = strview_str(&((const StrView *)data)[at]); break;
    case SRC_TIME: out->time.ns = ((const int64_t *)data)[at]; break;
    case SRC_TIMETZ:
        out->zoned = true;
        out->time.ns = ((const TimeTz *)data)[at].ns;
        out->time.offset = ((const TimeTz *)data)[at].offset;
        break;
    case SRC_TIMESTAMP:
    case SRC_INSTANT:
    case SRC_ZONED: load_instant(column, source, at, out); break;
    case SRC_UUID: memcpy(out->uuid, ((const Uuid *)data)[at].bytes, 16); break;
    case SRC_NESTED:
    default: out->nested.column = column; out->nested.position = at;
    }
}

/* Fraction digits that a number's text needs, exponent included, at most 38. */
static int text_scale(Str text) {
    int fraction = 0, exponent = 0;
    bool after_point = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '.') {
            after_point = true;
        } else if (c == 'e' || c == 'E') {
            int64_t value;
            Str rest = {text.data + i + 1, text.len - i - 1};
            if (int64_parse(rest, &value) == NUMBER_OK)
                exponent = value > 100 ? 100 : value < -100 ? -100 : (int)value;
            break;
        } else if (after_point) {
            fraction++;
        }
    }
    int scale = fraction - exponent;
    return scale < 0 ? 0 : scale > DECIMAL_MAX_DIGITS ? DECIMAL_MAX_DIGITS : scale;
}

static ConvertCode text_decimal(Str text, int *scale, Int128 *out) {
    Str trimmed = str_trim(text);
    int own = text_scale(trimmed);
    *scale = own;
    switch (decimal_parse(trimmed, DECIMAL_MAX_DIGITS, own, out)) {
    case DECIMAL_OK: return CONVERT_OK;
    case DECIMAL_OVERFLOW: return CONVERT_RANGE;
    default: break;
    }
    double real; /* NaN, Infinity: numbers, but not decimals */
    return double_parse(trimmed, &real) == NUMBER_SYNTAX ? CONVERT_INVALID : CONVERT_RANGE;
}

static ConvertCode real_decimal(const Cell *cell, int *scale, Int128 *out) {
    char text[NUMBER_TEXT_MAX];
    if (!isfinite(cell->real)) return CONVERT_RANGE;
    size_t length =
        cell->single ? float_format((float)cell->real, text) : double_format(cell->real, text);
    return text_decimal((Str){text, length}, scale, out);
}

/* Drops or adds fraction digits; dropping truncates. */
static ConvertCode decimal_fit(Int128 value, int from, int to, Int128 *out, bool *fraction) {
    if (to >= from)
        return decimal_rescale(value, from, to, out) == DECIMAL_OK ? CONVERT_OK : CONVERT_RANGE;
    Int128 power = decimal_powers[from - to];
    *out = value / power;
    if (value % power != 0) *fraction = true;
    return CONVERT_OK;
}

ConvertCode cell_decimal(const Cell *cell, int *scale, Int128 *out, bool *fraction) {
    Int128 value = 0;
    int own = 0;
    ConvertCode code = CONVERT_OK;
    *fraction = false;
    switch (cell->family) {
    case FAMILY_BOOL:
    case FAMILY_INTEGER: value = cell->integer; break;
    case FAMILY_DECIMAL:
        value = cell->decimal;
        own = cell->scale;
        break;
    case FAMILY_REAL: code = real_decimal(cell, &own, &value); break;
    case FAMILY_TEXT: code = text_decimal(cell->text, &own, &value); break;
    case FAMILY_YM:
    case FAMILY_DS: code = interval_number(cell, &own, &value); break;
    default: return CONVERT_RESTRICTED;
    }
    if (code != CONVERT_OK) return code;
    if (*scale < 0) *scale = own;
    return decimal_fit(value, own, *scale, out, fraction);
}

static ConvertCode real_integer(double real, Int128 *out, bool *fraction) {
    if (!(real > -1.7e38 && real < 1.7e38)) return CONVERT_RANGE; /* NaN too */
    *out = (Int128)real;
    *fraction = trunc(real) != real;
    return CONVERT_OK;
}

ConvertCode cell_integer(const Cell *cell, Int128 *out, bool *fraction) {
    *fraction = false;
    if (cell->family == FAMILY_INTEGER || cell->family == FAMILY_BOOL) {
        *out = cell->integer;
        return CONVERT_OK;
    }
    if (cell->family == FAMILY_REAL) return real_integer(cell->real, out, fraction);
    int scale = 0;
    ConvertCode code = cell_decimal(cell, &scale, out, fraction);
    if (code != CONVERT_RANGE || cell->family != FAMILY_TEXT) return code;
    double real; /* more digits than a decimal holds, or not finite */
    if (double_parse(str_trim(cell->text), &real) != NUMBER_OK) return CONVERT_RANGE;
    return real_integer(real, out, fraction);
}

bool cell_negative(const Cell *cell) {
    switch (cell->family) {
    case FAMILY_REAL: return cell->real < 0;
    case FAMILY_DECIMAL: return cell->decimal < 0;
    case FAMILY_TEXT: return str_trim(cell->text).len > 0 && str_trim(cell->text).data[0] == '-';
    case FAMILY_BOOL:
    case FAMILY_INTEGER: return cell->integer < 0;
    default: return false;
    }
}

ConvertCode cell_real(const Cell *cell, double *out) {
    switch (cell->family) {
    case FAMILY_BOOL:
    case FAMILY_INTEGER: *out = (double)cell->integer; return CONVERT_OK;
    case FAMILY_DECIMAL: *out = decimal_to_double(cell->decimal, cell->scale); return CONVERT_OK;
    case FAMILY_REAL: *out = cell->real; return CONVERT_OK;
    case FAMILY_TEXT: break;
    default: return CONVERT_RESTRICTED;
    }
    switch (double_parse(str_trim(cell->text), out)) {
    case NUMBER_OK: return CONVERT_OK;
    case NUMBER_RANGE: return CONVERT_RANGE;
    default: return CONVERT_INVALID;
    }
}

/* Days and microseconds of the day, for times before 1970 too. */
static int32_t instant_days(int64_t us, int64_t *of_day) {
    int64_t days = us / US_PER_DAY, rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    *of_day = rest;
    return (int32_t)days;
}

/* The value of an escape: {ts '2024-01-15 10:00:00'}. Other texts stay. */
static Str escape_value(Str text) {
    text = str_trim(text);
    if (text.len < 2 || text.data[0] != '{' || text.data[text.len - 1] != '}') return text;
    const char *open = memchr(text.data, '\'', text.len);
    if (!open) return text;
    Str name = str_trim((Str){text.data + 1, (size_t)(open - text.data - 1)});
    if (!str_equal_fold(name, STR("d")) && !str_equal_fold(name, STR("t")) &&
        !str_equal_fold(name, STR("ts")))
        return text;
    Str rest = str_trim((Str){open + 1, text.len - (size_t)(open + 1 - text.data) - 1});
    if (rest.len == 0 || rest.data[rest.len - 1] != '\'') return text;
    return (Str){rest.data, rest.len - 1};
}

/* The specification: a time of day becomes one of today. */
static int64_t today_us(void) {
    int64_t of_day;
    return instant_days(os_realtime_us(), &of_day) * US_PER_DAY;
}

static ConvertCode text_timestamp(Str text, int64_t *us, int32_t *ns) {
    int16_t zone;
    int64_t of_day;
    text = escape_value(text);
    if (timestamp_parse(text, 9, us, ns, &zone)) return CONVERT_OK;
    if (!time_parse(text, &of_day)) return CONVERT_INVALID;
    *us = today_us() + of_day / 1000;
    *ns = (int32_t)(of_day % 1000);
    return CONVERT_OK;
}

ConvertCode cell_timestamp(const Cell *cell, int64_t *us, int32_t *ns) {
    *ns = 0;
    switch (cell->family) {
    case FAMILY_DATE: *us = cell->integer * US_PER_DAY; return CONVERT_OK;
    case FAMILY_TIME:
        *us = today_us() + cell->time.ns / 1000;
        *ns = (int32_t)(cell->time.ns % 1000);
        return CONVERT_OK;
    case FAMILY_TIMESTAMP:
        *us = cell->instant.us;
        *ns = cell->instant.ns;
        if (cell->zoned) *us += zone_offset_at(cell->instant.zone, *us) * US_PER_SECOND;
        return CONVERT_OK;
    case FAMILY_TEXT: return text_timestamp(cell->text, us, ns);
    default: return CONVERT_RESTRICTED;
    }
}

ConvertCode cell_date(const Cell *cell, int32_t *days, bool *dropped) {
    *dropped = false;
    if (cell->family == FAMILY_DATE) {
        *days = (int32_t)cell->integer;
        return CONVERT_OK;
    }
    if (cell->family == FAMILY_TIME) return CONVERT_RESTRICTED;
    if (cell->family == FAMILY_TEXT) {
        Str text = escape_value(cell->text);
        int64_t time;
        if (date_parse(text, days)) return CONVERT_OK;
        if (time_parse(text, &time)) return CONVERT_INVALID;
    }
    int64_t us, of_day;
    int32_t ns;
    ConvertCode code = cell_timestamp(cell, &us, &ns);
    if (code != CONVERT_OK) return code;
    *days = instant_days(us, &of_day);
    *dropped = of_day != 0 || ns != 0;
    return CONVERT_OK;
}

bool cell_is_time(const Cell *cell, int64_t *ns) {
    return cell->family == FAMILY_TEXT && time_parse(escape_value(cell->text), ns);
}

ConvertCode cell_time(const Cell *cell, int64_t *ns) {
    if (cell->family == FAMILY_TIME) {
        *ns = cell->time.ns;
        return CONVERT_OK;
    }
    if (cell->family == FAMILY_DATE) return CONVERT_RESTRICTED;
    if (cell->family == FAMILY_TEXT) {
        Str text = escape_value(cell->text);
        int32_t days;
        if (time_parse(text, ns)) return CONVERT_OK;
        if (date_parse(text, &days)) return CONVERT_INVALID;
    }
    int64_t us, of_day;
    int32_t below;
    ConvertCode code = cell_timestamp(cell, &us, &below);
    if (code != CONVERT_OK) return code;
    (void)instant_days(us, &of_day);
    *ns = of_day * 1000 + below;
    return CONVERT_OK;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static ConvertCode uuid_parse(Str text, uint8_t out[16]) {
    size_t n = 0;
    text = str_trim(text);
    if (text.len == 38 && text.data[0] == '{' && text.data[37] == '}')
        text = (Str){text.data + 1, 36};
    if (text.len != 36) return CONVERT_INVALID;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.data[i] != '-') return CONVERT_INVALID;
            continue;
        }
        int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
        if (high < 0 || low < 0) return CONVERT_INVALID;
        out[n++] = (uint8_t)(high << 4 | low);
        i++;
    }
    return CONVERT_OK;
}

ConvertCode cell_uuid(const Cell *cell, uint8_t out[16]) {
    if (cell->family == FAMILY_TEXT) return uuid_parse(cell->text, out);
    if (cell->family == FAMILY_BYTES) {
        if (cell->text.len != 16) return CONVERT_RANGE;
        memcpy(out, cell->text.data, 16);
        return CONVERT_OK;
    }
    if (cell->family != FAMILY_UUID) return CONVERT_RESTRICTED;
    memcpy(out, cell->uuid, 16);
    return CONVERT_OK;
}

static size_t uuid_format(const uint8_t bytes[16], char *out) {
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out[n++] = '-';
        out[n++] = digits[bytes[i] >> 4];
        out[n++] = digits[bytes[i] & 15];
    }
    out[n] = 0;
    return n;
}

/* The bytes before the point; all of them where an exponent or a word stands. */
static size_t whole_part(Str text) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '.') return memchr(text.data + i, 'E', text.len - i) ? text.len : i;
        if (c != '-' && (c < '0' || c > '9')) return text.len;
    }
    return text.len;
}

static size_t time_text(const Cell *cell, char *out) {
    size_t n = time_format_iso(cell->time.ns, cell->precision, out);
    if (!cell->zoned) return n;
    int32_t minutes = cell->time.offset / 60;
    uint32_t size = (uint32_t)(minutes < 0 ? -minutes : minutes);
    out[n++] = minutes < 0 ? '-' : '+';
    out[n++] = (char)('0' + size / 600 % 10);
    out[n++] = (char)('0' + size / 60 % 10);
    out[n++] = ':';
    out[n++] = (char)('0' + size % 60 / 10);
    out[n++] = (char)('0' + size % 10);
    out[n] = 0;
    return n;
}

/* `at` is the place of the value, so that the column must not look it up in a dictionary again. */
Status nested_text(const ColumnView *column, uint32_t at, Buf *out, Error *err) {
    ColumnView flat = *column;
    flat.form = COLUMN_FLAT;
    TRY(column_value_text(&flat, at, out, err));
    return buf_status(out, err);
}

ConvertCode cell_text(const Cell *cell, char small[CONVERT_TEXT_MAX], Buf *big, Str *out,
                      size_t *whole, Error *err) {
    *whole = 0;
    out->data = small;
    switch (cell->family) {
    case FAMILY_TEXT:
    case FAMILY_BYTES: *out = cell->text; return CONVERT_OK;
    case FAMILY_NESTED:
        if (nested_text(cell->nested.column, cell->nested.position, big, err) != TRIB_OK)
            return CONVERT_ENGINE;
        *out = buf_view(big);
        return CONVERT_OK;
    case FAMILY_BOOL:
        small[0] = cell->integer ? '1' : '0';
        out->len = 1;
        break;
    case FAMILY_INTEGER: out->len = int64_format(cell->integer, small); break;
    case FAMILY_DECIMAL: out->len = decimal_format(cell->decimal, cell->scale, small); break;
    case FAMILY_REAL:
        out->len = cell->single ? float_format((float)cell->real, small)
                                : double_format(cell->real, small);
        break;
    case FAMILY_DATE: out->len = date_format_iso((int32_t)cell->integer, small); break;
    case FAMILY_TIME: out->len = time_text(cell, small); break;
    case FAMILY_TIMESTAMP:
        out->len = cell->zoned ? timestamp_tz_format(cell->instant.us, cell->instant.ns,
                                                     cell->instant.zone, cell->precision, small)
                               : timestamp_format_iso(cell->instant.us, cell->instant.ns,
                                                      cell->precision, small);
        break;
    case FAMILY_YM:
    case FAMILY_DS: out->len = interval_format(cell, small); break;
    case FAMILY_UUID: out->len = uuid_format(cell->uuid, small); break;
    default: return CONVERT_RESTRICTED;
    }
    *whole = out->len;
    if (cell->family == FAMILY_DECIMAL || cell->family == FAMILY_REAL) *whole = whole_part(*out);
    const char *point = NULL;
    bool cut = cell->family == FAMILY_TIME || cell->family == FAMILY_TIMESTAMP;
    if (cell->family == FAMILY_DS || (cut && !cell->zoned)) point = memchr(small, '.', out->len);
    if (point) *whole = (size_t)(point - small);
    return CONVERT_OK;
}
