/*
 * decode.c - the conversions, and the loop over the columns of a row.
 *
 * mysql_stmt_fetch without bound buffers walks the packet and leaves, per column, a pointer to the
 * value in place (row_ptr; NULL for SQL NULL). Here each value goes from there into its Arrow buffer in
 * one step. The frequent kinds are handled inside the loop, the others by a function per column.
 *
 * Values of fixed width are little-endian and unaligned; all others, dates included, carry a length
 * (1, 3, 4 or 9 bytes). Format: MariaDB documentation, "Result Set Packets: binary row".
 */
#include "connectors/mysql/decode.h"

#include <stdio.h>

#include "connectors/support/call.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/number.h"

typedef enum DecodeKind {
    DECODE_COPY1,
    DECODE_COPY2,
    DECODE_COPY4,
    DECODE_COPY8, /* same width, same meaning */
    DECODE_TEXT,
    DECODE_DECIMAL64,
    DECODE_DATE,
    DECODE_TIMESTAMP,
    DECODE_OTHER
} DecodeKind;

/* What is known of a month that occurred: dates come in few of them. */
struct MonthStart {
    uint32_t key;   /* year * 16 + month, plus 1; 0 = none */
    int32_t before; /* the day before its first, in days since 1970 */
    uint32_t days;
};

enum { MONTHS_KEPT = 256 };

typedef Status (*DecodeValue)(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                              size_t length, uint32_t row, Error *err);

struct ColumnDecoder {
    BatchColumn *out;
    DecodeKind kind;
    uint8_t width; /* of the wire; 0 = with a length in front */
    bool is_unsigned;
    bool warned;
    uint8_t wire;     /* enum enum_field_types */
    uint8_t decimals; /* digits of a second, of dates and times */
    uint8_t whole;    /* DECODE_DECIMAL64: digits before the point that always fit */
    TribType type;
    DecodeValue decode;
    const char *name;
};

/* ---------------------------------------------------------------- the wire */

static inline uint16_t load2(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t load4(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint64_t load8(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static Status malformed(const ColumnDecoder *column, Error *err) {
    return error_set(err, ERR_IO, "the server sent a malformed value for column \"%s\"",
                     column->name);
}

/* Reads the length in front of a value; false: it reaches beyond the buffer. */
static inline bool take_length(const uint8_t **data, size_t *length, const uint8_t *end) {
    const uint8_t *p = *data;
    size_t left = (size_t)(end - p);
    uint64_t value;
    size_t prefix;
    if (left == 0) return false;
    if (p[0] < 251) {
        value = p[0];
        prefix = 1;
    } else if (p[0] == 252 && left >= 3) {
        value = load2(p + 1);
        prefix = 3;
    } else if (p[0] == 253 && left >= 4) {
        value = load2(p + 1) | (uint32_t)p[3] << 16;
        prefix = 4;
    } else if (p[0] == 254 && left >= 9) {
        value = load8(p + 1);
        prefix = 9;
    } else {
        return false;
    }
    if (value > left - prefix) return false;
    *data = p + prefix;
    *length = (size_t)value;
    return true;
}

static int64_t wire_integer(const ColumnDecoder *column, const uint8_t *data) {
    switch (column->width) {
    case 1: return column->is_unsigned ? (int64_t)data[0] : (int64_t)(int8_t)data[0];
    case 2: return column->is_unsigned ? (int64_t)load2(data) : (int64_t)(int16_t)load2(data);
    case 4: return column->is_unsigned ? (int64_t)load4(data) : (int64_t)(int32_t)load4(data);
    default: return (int64_t)load8(data);
    }
}

/* ---------------------------------------------------------------- numbers */

static Status out_of_range(const ColumnDecoder *column, Error *err) {
    error_set(err, ERR_OUT_OF_RANGE, "a value of column \"%s\" does not fit its type",
              column->name);
    return error_hint(err, "the table may have changed since it was described");
}

static Status store_int128(ColumnDecoder *column, Int128 value, uint32_t row, Error *err) {
    static const struct {
        int64_t low, high;
    } limits[] = {[TRIB_TYPE_TINYINT] = {INT8_MIN, INT8_MAX},
                  [TRIB_TYPE_SMALLINT] = {INT16_MIN, INT16_MAX},
                  [TRIB_TYPE_INTEGER] = {INT32_MIN, INT32_MAX},
                  [TRIB_TYPE_BIGINT] = {INT64_MIN, INT64_MAX}};
    uint8_t id = column->type.id;
    if (id == TRIB_TYPE_DECIMAL) {
        Int128 scaled;
        if (decimal_rescale(value, 0, column->type.scale, &scaled) != DECIMAL_OK ||
            !decimal_fits(scaled, column->type.precision)) {
            return out_of_range(column, err);
        }
        if (column->type.precision <= 18)
            batch_set_int64(column->out, row, (int64_t)scaled);
        else
            batch_set_int128(column->out, row, scaled);
        return TRIB_OK;
    }
    if (id == TRIB_TYPE_BOOLEAN) {
        batch_set_bool(column->out, row, value != 0);
        return TRIB_OK;
    }
    if (value < limits[id].low || value > limits[id].high) return out_of_range(column, err);
    switch (id) {
    case TRIB_TYPE_TINYINT: batch_set_int8(column->out, row, (int8_t)value); break;
    case TRIB_TYPE_SMALLINT: batch_set_int16(column->out, row, (int16_t)value); break;
    case TRIB_TYPE_INTEGER: batch_set_int32(column->out, row, (int32_t)value); break;
    default: batch_set_int64(column->out, row, (int64_t)value); break;
    }
    return TRIB_OK;
}

static Status decode_integer(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                             size_t length, uint32_t row, Error *err) {
    int64_t value = wire_integer(column, data);
    Int128 wide =
        column->is_unsigned && column->width == 8 ? (Int128)(uint64_t)value : (Int128)value;
    return store_int128(column, wide, row, err);
}

/* BIT(n): up to eight bytes, most significant first. */
static Status decode_bits(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                          size_t length, uint32_t row, Error *err) {
    uint64_t value = 0;
    if (length > 8) return malformed(column, err);
    for (size_t i = 0; i < length; i++) value = value << 8 | data[i];
    return store_int128(column, (Int128)value, row, err);
}

static Status decode_floating(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                              size_t length, uint32_t row, Error *err) {
    double value;
    if (column->width == 4) {
        float single;
        memcpy(&single, data, sizeof single);
        value = single;
    } else {
        memcpy(&value, data, sizeof value);
    }
    if (column->type.id == TRIB_TYPE_REAL)
        batch_set_float(column->out, row, (float)value);
    else
        batch_set_double(column->out, row, value);
    return TRIB_OK;
}

/* Eight digits or fewer, from the left; false: something else is among them. Eight bytes are readable. */
static inline bool digits8_read(const uint8_t *data, unsigned count, uint64_t *out) {
    uint64_t x = (load8(data) ^ UINT64_C(0x3030303030303030)) << (64 - 8 * count);
    if (((x + UINT64_C(0x7676767676767676)) | x) & UINT64_C(0x8080808080808080)) return false;
    /* Pairs, then fours, then all (first digit in the lowest byte): three multiplications, no loop. */
    x = x * 10 + (x >> 8);
    *out = ((x & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x000f424000000064) +
            (x >> 16 & UINT64_C(0x000000ff000000ff)) * UINT64_C(0x0000271000000001)) >>
           32;
    return true;
}

/* The usual decimals: up to eight digits on either side of a point. false: to be read digit by digit. */
static inline bool decimal64_quick(const ColumnDecoder *column, const uint8_t *data, size_t length,
                                   const uint8_t *end, int64_t *out) {
    static const uint32_t powers[] = {1,      10,      100,      1000,     10000,
                                      100000, 1000000, 10000000, 100000000};
    unsigned scale = (unsigned)column->type.scale;
    if (length == 0) return false;
    bool negative = *data == '-';
    uint64_t whole, fraction = 0;
    if (scale > 8 || length < negative + scale + 1 + (scale != 0)) return false;
    size_t digits = length - negative - scale - (scale != 0);
    data += negative;
    if (digits > 8 || digits > column->whole || (size_t)(end - data) < digits + 9) return false;
    if (!digits8_read(data, (unsigned)digits, &whole)) return false;
    if (scale && (data[digits] != '.' || !digits8_read(data + digits + 1, scale, &fraction)))
        return false;
    int64_t value = (int64_t)(whole * powers[scale] + fraction);
    *out = negative ? -value : value;
    return true;
}

/* Decimals of up to 18 digits, as the server writes them: sign, digits, point, exactly `scale` digits. */
static inline bool decimal64_read(const uint8_t *data, size_t length, int scale, int64_t *out) {
    const uint8_t *end = data + length;
    bool negative = length && *data == '-';
    int64_t value = 0;
    int fraction = -1;
    data += negative;
    if (data == end || end - data > 19 + (scale != 0)) return false;
    for (; data < end; data++) {
        unsigned digit = (unsigned)*data - '0';
        if (digit <= 9) {
            value = value * 10 + (int64_t)digit;
            fraction += fraction >= 0;
        } else if (*data == '.' && fraction < 0) {
            fraction = 0;
        } else {
            return false;
        }
    }
    if (fraction < 0) fraction = 0;
    if (fraction != scale) return false;
    *out = negative ? -value : value;
    return true;
}

static Status decode_decimal(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                             size_t length, uint32_t row, Error *err) {
    Int128 value;
    Str text = {(const char *)data, length};
    bool integer = column->type.id != TRIB_TYPE_DECIMAL;
    DecimalResult result = decimal_parse(text, integer ? 38 : column->type.precision,
                                         integer ? 0 : column->type.scale, &value);
    if (result == DECIMAL_SYNTAX) return malformed(column, err);
    if (result != DECIMAL_OK) return out_of_range(column, err);
    if (integer) return store_int128(column, value, row, err);
    if (column->type.precision <= 18)
        batch_set_int64(column->out, row, (int64_t)value);
    else
        batch_set_int128(column->out, row, value);
    return TRIB_OK;
}

static Status decode_decimal64(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                               size_t length, uint32_t row, Error *err) {
    int64_t value;
    if (decimal64_read(data, length, column->type.scale, &value) &&
        decimal_fits(value, column->type.precision)) {
        batch_set_int64(column->out, row, value);
        return TRIB_OK;
    }
    return decode_decimal(self, column, data, length, row, err);
}

/* ---------------------------------------------------------------- text */

static Status decode_char(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                          size_t length, uint32_t row, Error *err) {
    while (length > 0 && data[length - 1] == ' ') length--;
    return batch_text(self->batch, column->out, row, data, length, err);
}

static int hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static Status decode_uuid(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                          size_t length, uint32_t row, Error *err) {
    uint8_t bytes[16];
    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (at < length && data[at] == '-') at++;
        int high = at < length ? hex_digit(data[at]) : -1;
        int low = at + 1 < length ? hex_digit(data[at + 1]) : -1;
        if (high < 0 || low < 0) return malformed(column, err);
        bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    if (at != length) return malformed(column, err);
    batch_set_fixed16(column->out, row, bytes);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- dates */

typedef struct WireTime {
    uint32_t year, month, day, hour, minute, second, micros;
} WireTime;

static inline bool wire_datetime(const uint8_t *data, size_t length, WireTime *out) {
    memset(out, 0, sizeof *out);
    if (length != 0 && length != 4 && length != 7 && length != 11) return false;
    if (length >= 4) {
        out->year = load2(data);
        out->month = data[2];
        out->day = data[3];
    }
    if (length >= 7) {
        out->hour = data[4];
        out->minute = data[5];
        out->second = data[6];
    }
    if (length == 11) out->micros = load4(data + 7);
    return out->year <= 9999 && out->month <= 12 && out->day <= 31 && out->hour < 24 &&
           out->minute < 60 && out->second < 60 && out->micros < US_PER_SECOND;
}

/* 0000-00-00, 2024-00-08, 2024-02-30: no dates at all. */
static Status not_a_date(RowDecoder *self, ColumnDecoder *column, const WireTime *time,
                         uint32_t row, Error *err) {
    if (self->settings->zero_dates == ZERO_DATES_ERROR) {
        error_set(err, ERR_DATETIME_FORMAT, "column \"%s\" holds %04u-%02u-%02u, which is no date",
                  column->name, time->year, time->month, time->day);
        return error_hint(
            err,
            "the option zero_dates=null reads such values as NULL, zero_dates=varchar as text");
    }
    if (!column->warned) {
        column->warned = true;
        call_warn(
            self->call,
            "column \"%s\" holds zero or impossible dates (such as %04u-%02u-%02u), read as NULL",
            column->name, time->year, time->month, time->day);
    }
    batch_set_null(column->out, row);
    return TRIB_OK;
}

/* The days since 1970 of a date; false: it is none. */
static inline bool month_find(RowDecoder *self, const WireTime *time, int32_t *days) {
    uint32_t key = time->year * 16 + time->month + 1;
    MonthStart *month = &self->months[key % MONTHS_KEPT];
    if (month->key != key) {
        if (!date_valid((int32_t)time->year, time->month, 1)) return false;
        month->key = key;
        month->before = date_from_civil((int32_t)time->year, time->month, 1) - 1;
        month->days = date_days_in_month((int32_t)time->year, time->month);
    }
    if (time->day < 1 || time->day > month->days) return false;
    *days = month->before + (int32_t)time->day;
    return true;
}

static inline Status decode_date(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                                 size_t length, uint32_t row, Error *err) {
    WireTime time;
    if (!wire_datetime(data, length, &time)) return malformed(column, err);
    int32_t days;
    if (!month_find(self, &time, &days)) return not_a_date(self, column, &time, row, err);
    batch_set_int32(column->out, row, days);
    return TRIB_OK;
}

static inline int64_t wire_micros(const WireTime *time) {
    int64_t seconds = (int64_t)time->hour * 3600 + time->minute * 60 + time->second;
    return seconds * US_PER_SECOND + time->micros;
}

static inline Status decode_timestamp(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                                      size_t length, uint32_t row, Error *err) {
    WireTime time;
    if (!wire_datetime(data, length, &time)) return malformed(column, err);
    int32_t days;
    if (!month_find(self, &time, &days)) return not_a_date(self, column, &time, row, err);
    int64_t us = days * US_PER_DAY + wire_micros(&time);
    if (column->type.id == TRIB_TYPE_TIMESTAMP_TZ)
        batch_set_timestamp_zone(column->out, row, us, self->utc, 0);
    else if (column->type.precision > 6)
        batch_set_timestamp_ns(column->out, row, us, 0);
    else
        batch_set_int64(column->out, row, us);
    return TRIB_OK;
}

/* The digits of a second, as many as the column has. */
static int fraction_text(const ColumnDecoder *column, uint32_t micros, char *out, size_t size) {
    static const uint32_t units[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    if (column->decimals == 0) return 0;
    return snprintf(out, size, ".%0*u", column->decimals, micros / units[column->decimals]);
}

/* zero_dates=varchar: as the server would print it. */
static Status decode_date_text(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                               size_t length, uint32_t row, Error *err) {
    WireTime time;
    char text[80];
    if (!wire_datetime(data, length, &time)) return malformed(column, err);
    int used = snprintf(text, sizeof text, "%04u-%02u-%02u", time.year, time.month, time.day);
    if (column->wire != MYSQL_TYPE_DATE && column->wire != MYSQL_TYPE_NEWDATE) {
        used += snprintf(text + used, sizeof text - (size_t)used, " %02u:%02u:%02u", time.hour,
                         time.minute, time.second);
        used += fraction_text(column, time.micros, text + used, sizeof text - (size_t)used);
    }
    return batch_text(self->batch, column->out, row, text, (size_t)used, err);
}

/* TIME: sign, days, hour, minute, second, microseconds. */
static bool wire_duration(const uint8_t *data, size_t length, int64_t *us) {
    *us = 0;
    if (length == 0) return true;
    if (length != 8 && length != 12) return false;
    uint64_t days = load4(data + 1);
    WireTime time = {.hour = data[5],
                     .minute = data[6],
                     .second = data[7],
                     .micros = length == 12 ? load4(data + 8) : 0};
    if (days > 35 || time.hour > 23 || time.minute > 59 || time.second > 59 ||
        time.micros >= US_PER_SECOND)
        return false;
    int64_t total = (int64_t)days * US_PER_DAY + wire_micros(&time);
    *us = data[0] ? -total : total;
    return true;
}

static Status decode_duration(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                              size_t length, uint32_t row, Error *err) {
    int64_t us;
    if (!wire_duration(data, length, &us)) return malformed(column, err);
    if (column->type.id == TRIB_TYPE_INTERVAL_DS) {
        batch_set_int64(column->out, row, us);
        return TRIB_OK;
    }
    if (us < 0 || us >= US_PER_DAY) {
        error_set(err, ERR_DATETIME_OVERFLOW, "column \"%s\" holds a TIME that is no time of day",
                  column->name);
        return error_hint(err, "the option time=interval reads all values");
    }
    batch_set_int64(column->out, row, us * 1000);
    return TRIB_OK;
}

static Status decode_duration_text(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                                   size_t length, uint32_t row, Error *err) {
    int64_t us;
    char text[80];
    if (!wire_duration(data, length, &us)) return malformed(column, err);
    uint64_t size = us < 0 ? (uint64_t)-us : (uint64_t)us;
    uint64_t seconds = size / 1000000, micros = size % 1000000;
    int used = snprintf(text, sizeof text, "%s%02u:%02u:%02u", us < 0 ? "-" : "",
                        (unsigned)(seconds / 3600), (unsigned)(seconds / 60 % 60),
                        (unsigned)(seconds % 60));
    used += fraction_text(column, (uint32_t)micros, text + used, sizeof text - (size_t)used);
    return batch_text(self->batch, column->out, row, text, (size_t)used, err);
}

/* ---------------------------------------------------------------- choosing */

static uint8_t wire_width(enum enum_field_types type) {
    switch (type) {
    case MYSQL_TYPE_TINY: return 1;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR: return 2;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_FLOAT: return 4;
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_DOUBLE: return 8;
    default: return 0;
    }
}

typedef enum WireFamily {
    WIRE_INTEGER,
    WIRE_FLOATING,
    WIRE_DECIMAL,
    WIRE_TEXT,
    WIRE_BITS,
    WIRE_DATE,
    WIRE_TIME,
    WIRE_NULL,
    WIRE_UNKNOWN
} WireFamily;

static WireFamily wire_family(enum enum_field_types type) {
    switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONGLONG: return WIRE_INTEGER;
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE: return WIRE_FLOATING;
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return WIRE_DECIMAL;
    case MYSQL_TYPE_VARCHAR:
    case MYSQL_TYPE_VAR_STRING:
    case MYSQL_TYPE_STRING:
    case MYSQL_TYPE_TINY_BLOB:
    case MYSQL_TYPE_MEDIUM_BLOB:
    case MYSQL_TYPE_LONG_BLOB:
    case MYSQL_TYPE_BLOB:
    case MYSQL_TYPE_ENUM:
    case MYSQL_TYPE_SET:
    case MYSQL_TYPE_JSON: return WIRE_TEXT;
    case MYSQL_TYPE_BIT: return WIRE_BITS;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP: return WIRE_DATE;
    case MYSQL_TYPE_TIME: return WIRE_TIME;
    case MYSQL_TYPE_NULL: return WIRE_NULL;
    default: return WIRE_UNKNOWN;
    }
}

static bool type_is_integer(TribType type) {
    return (type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT) ||
           type.id == TRIB_TYPE_BOOLEAN;
}

static DecodeValue choose_text(ColumnDecoder *column) {
    switch (column->type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_VARBINARY: column->kind = DECODE_TEXT; return decode_char;
    case TRIB_TYPE_CHAR: return decode_char;
    case TRIB_TYPE_UUID: return decode_uuid;
    default: return NULL;
    }
}

static DecodeValue choose_integer(ColumnDecoder *column) {
    static const uint8_t same[] = {[1] = TRIB_TYPE_TINYINT,
                                   [2] = TRIB_TYPE_SMALLINT,
                                   [4] = TRIB_TYPE_INTEGER,
                                   [8] = TRIB_TYPE_BIGINT};
    if (!type_is_integer(column->type) && column->type.id != TRIB_TYPE_DECIMAL) return NULL;
    if (!column->is_unsigned && column->type.id == same[column->width]) {
        column->kind = column->width == 1   ? DECODE_COPY1
                       : column->width == 2 ? DECODE_COPY2
                       : column->width == 4 ? DECODE_COPY4
                                            : DECODE_COPY8;
    }
    return decode_integer;
}

/* The conversion from the wire's type to the column's; NULL: there is none. */
static DecodeValue choose(ColumnDecoder *column, WireFamily family) {
    uint8_t id = column->type.id;
    switch (family) {
    case WIRE_NULL:
    case WIRE_INTEGER: return choose_integer(column);
    case WIRE_FLOATING:
        if (id == TRIB_TYPE_REAL && column->width == 4) column->kind = DECODE_COPY4;
        if (id == TRIB_TYPE_DOUBLE && column->width == 8) column->kind = DECODE_COPY8;
        return id == TRIB_TYPE_REAL || id == TRIB_TYPE_DOUBLE ? decode_floating : NULL;
    case WIRE_DECIMAL:
        if (id == TRIB_TYPE_VARCHAR) return choose_text(column);
        if (id == TRIB_TYPE_DECIMAL && column->type.precision <= 18)
            column->kind = DECODE_DECIMAL64;
        return id == TRIB_TYPE_DECIMAL || type_is_integer(column->type) ? decode_decimal : NULL;
    case WIRE_TEXT: return choose_text(column);
    case WIRE_BITS:
        return type_is_integer(column->type) || id == TRIB_TYPE_DECIMAL ? decode_bits : NULL;
    case WIRE_DATE:
        if (id == TRIB_TYPE_VARCHAR) return decode_date_text;
        if (id == TRIB_TYPE_DATE &&
            (column->wire == MYSQL_TYPE_DATE || column->wire == MYSQL_TYPE_NEWDATE)) {
            column->kind = DECODE_DATE;
        }
        if (id == TRIB_TYPE_TIMESTAMP || id == TRIB_TYPE_TIMESTAMP_TZ)
            column->kind = DECODE_TIMESTAMP;
        return column->kind != DECODE_OTHER ? decode_duration
                                            : NULL; /* by its kind, never by this function */
    case WIRE_TIME:
        if (id == TRIB_TYPE_VARCHAR) return decode_duration_text;
        return id == TRIB_TYPE_INTERVAL_DS || id == TRIB_TYPE_TIME ? decode_duration : NULL;
    default: return NULL;
    }
}

Status decoder_init(RowDecoder *self, Arena *arena, const Settings *settings, TribCall *call,
                    BatchBuilder *batch, const SqlSelect *select, MYSQL_STMT *statement,
                    Error *err) {
    uint32_t fields = mysql_stmt_field_count(statement);
    uint32_t wanted =
        select->noutput ? select->noutput : 1; /* no outputs: a constant is selected */
    if (fields != wanted) {
        return error_set(err, ERR_IO, "the server sends %u columns where %u were asked for", fields,
                         wanted);
    }
    *self = (RowDecoder){
        .settings = settings, .call = call, .batch = batch, .ncolumns = select->noutput};
    const TribHost *host = settings->host;
    self->utc = host && host->zone_id ? host->zone_id(host->self, "UTC", 3) : ZONE_UTC;
    TRY_ALLOC(self->columns, ARENA_ARRAY(arena, ColumnDecoder, self->ncolumns), err);
    TRY_ALLOC(self->months, ARENA_ARRAY(arena, MonthStart, MONTHS_KEPT), err);
    const MYSQL_FIELD *field = mariadb_stmt_fetch_fields(statement);
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        ColumnDecoder *column = &self->columns[i];
        *column =
            (ColumnDecoder){.out = &batch->columns[i],
                            .kind = DECODE_OTHER,
                            .type = select->outputs[i].type,
                            .wire = (uint8_t)field[i].type,
                            .width = wire_width(field[i].type),
                            .decimals = field[i].decimals <= 6 ? (uint8_t)field[i].decimals : 6,
                            .is_unsigned = field[i].flags & UNSIGNED_FLAG};
        column->name = select->outputs[i].name ? select->outputs[i].name : "expression";
        column->decode = choose(column, wire_family(field[i].type));
        if (column->kind == DECODE_DECIMAL64)
            column->whole = (uint8_t)(column->type.precision - column->type.scale);
        if (!column->decode) {
            error_set(err, ERR_MISMATCH,
                      "column \"%s\" has another type in the source than when it was described",
                      column->name);
            return error_hint(err, "cached metadata may be out of date (metadata_ttl)");
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static inline Status decode_with_length(RowDecoder *self, ColumnDecoder *column,
                                        const uint8_t *data, size_t length, const uint8_t *end,
                                        uint32_t row, Error *err) {
    switch (column->kind) {
    case DECODE_TEXT: return batch_text(self->batch, column->out, row, data, length, err);
    case DECODE_DECIMAL64: {
        int64_t value;
        if (!decimal64_quick(column, data, length, end, &value))
            return decode_decimal64(self, column, data, length, row, err);
        batch_set_int64(column->out, row, value);
        return TRIB_OK;
    }
    case DECODE_DATE: return decode_date(self, column, data, length, row, err);
    case DECODE_TIMESTAMP: return decode_timestamp(self, column, data, length, row, err);
    default: return column->decode(self, column, data, length, row, err);
    }
}

static inline Status decode_fixed(RowDecoder *self, ColumnDecoder *column, const uint8_t *data,
                                  uint32_t row, Error *err) {
    switch (column->kind) {
    case DECODE_COPY1: ((uint8_t *)column->out->values)[row] = data[0]; return TRIB_OK;
    case DECODE_COPY2: ((uint16_t *)column->out->values)[row] = load2(data); return TRIB_OK;
    case DECODE_COPY4: ((uint32_t *)column->out->values)[row] = load4(data); return TRIB_OK;
    case DECODE_COPY8: ((uint64_t *)column->out->values)[row] = load8(data); return TRIB_OK;
    default: return column->decode(self, column, data, column->width, row, err);
    }
}

Status decoder_row(RowDecoder *self, MYSQL_STMT *statement, Error *err) {
    uint32_t row = self->batch->rows;
    const uint8_t *end = statement->mysql->net.buff_end;
    for (uint32_t i = 0; i < self->ncolumns; i++) {
        ColumnDecoder *column = &self->columns[i];
        const uint8_t *data = statement->bind[i].u.row_ptr;
        if (!data) {
            batch_set_null(column->out, row);
            continue;
        }
        if (data >= end) return malformed(column, err);
        if (column->width) {
            if ((size_t)(end - data) < column->width) return malformed(column, err);
            TRY(decode_fixed(self, column, data, row, err));
        } else {
            size_t length;
            if (!take_length(&data, &length, end)) return malformed(column, err);
            TRY(decode_with_length(self, column, data, length, end, row, err));
        }
    }
    batch_row_done(self->batch);
    return TRIB_OK;
}
