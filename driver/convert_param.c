/*
 * convert_param.c - C data of the application to values of the engine (the specification's appendix
 * D, "C to SQL"): first a Cell, then a value of the SQL type that was bound.
 */
#include <math.h>

#include "driver/convert.h"
#include "engine/base/number.h"
#include "driver/text.h"
#include "engine/base/calendar.h"

static ConvertCode text_from_c(SQLSMALLINT ctype, const void *data, SQLLEN length, Arena *arena,
                               Str *out, Error *err) {
    if (ctype == SQL_C_WCHAR) {
        size_t units = length == SQL_NTS ? wide_length(data) : (size_t)length / 2;
        return text_from_wide(arena, data, units, out, err) == TRIB_OK ? CONVERT_OK
                                                                       : CONVERT_ENGINE;
    }
    *out = (Str){data, length == SQL_NTS ? strlen(data) : (size_t)length};
    if (utf8_valid(out->data, out->len)) return CONVERT_OK;
    (void)error_set(err, ERR_INVALID_ENCODING, "the text of the parameter is not valid UTF-8");
    return CONVERT_ENGINE;
}

static bool integer_from_c(SQLSMALLINT ctype, const void *data, int64_t *out) {
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
    } value;
    size_t size = ctype_size(ctype);
    memcpy(&value, data, size <= 8 ? size : 8);
    switch (ctype) {
    case SQL_C_TINYINT:
    case SQL_C_STINYINT: *out = value.i8; return true;
    case SQL_C_UTINYINT: *out = value.u8; return true;
    case SQL_C_SHORT:
    case SQL_C_SSHORT: *out = value.i16; return true;
    case SQL_C_USHORT: *out = value.u16; return true;
    case SQL_C_LONG:
    case SQL_C_SLONG: *out = value.i32; return true;
    case SQL_C_ULONG: *out = value.u32; return true;
    case SQL_C_SBIGINT: *out = value.i64; return true;
    default: return false;
    }
}

static ConvertCode real_from_c(SQLSMALLINT ctype, const void *data, Cell *out) {
    out->family = FAMILY_REAL;
    if (ctype == SQL_C_FLOAT) {
        float value;
        memcpy(&value, data, sizeof value);
        out->single = true;
        out->real = (double)value;
    } else {
        memcpy(&out->real, data, sizeof out->real);
    }
    return CONVERT_OK;
}

static ConvertCode numeric_from_c(const void *data, Cell *out) {
    SQL_NUMERIC_STRUCT numeric;
    memcpy(&numeric, data, sizeof numeric);
    UInt128 magnitude = 0;
    for (int i = SQL_MAX_NUMERIC_LEN - 1; i >= 0; i--) magnitude = magnitude << 8 | numeric.val[i];
    if (magnitude >= (UInt128)decimal_powers[DECIMAL_MAX_DIGITS]) return CONVERT_RANGE;
    out->family = FAMILY_DECIMAL;
    out->decimal = numeric.sign ? (Int128)magnitude : -(Int128)magnitude;
    out->scale = numeric.scale;
    if (numeric.scale >= 0) return numeric.scale <= DECIMAL_MAX_DIGITS ? CONVERT_OK : CONVERT_RANGE;
    out->scale = 0; /* a negative scale multiplies */
    if (numeric.scale < -DECIMAL_MAX_DIGITS) return CONVERT_RANGE;
    return decimal_multiply(out->decimal, decimal_powers[-numeric.scale], 0, &out->decimal) ==
                   DECIMAL_OK
               ? CONVERT_OK
               : CONVERT_RANGE;
}

static ConvertCode date_from_c(const void *data, Cell *out) {
    SQL_DATE_STRUCT date;
    memcpy(&date, data, sizeof date);
    if (!date_valid(date.year, date.month, date.day)) return CONVERT_DATETIME;
    out->family = FAMILY_DATE;
    out->integer = date_from_civil(date.year, date.month, date.day);
    return CONVERT_OK;
}

static bool time_valid(uint32_t hour, uint32_t minute, uint32_t second) {
    return hour < 24 && minute < 60 && second < 60;
}

static ConvertCode time_from_c(const void *data, Cell *out) {
    SQL_TIME_STRUCT time;
    memcpy(&time, data, sizeof time);
    if (!time_valid(time.hour, time.minute, time.second)) return CONVERT_DATETIME;
    out->family = FAMILY_TIME;
    out->time.ns = ((int64_t)time.hour * 3600 + time.minute * 60 + time.second) * 1000000000;
    return CONVERT_OK;
}

static ConvertCode timestamp_from_c(const void *data, Cell *out) {
    SQL_TIMESTAMP_STRUCT stamp;
    memcpy(&stamp, data, sizeof stamp);
    if (!date_valid(stamp.year, stamp.month, stamp.day) ||
        !time_valid(stamp.hour, stamp.minute, stamp.second) || stamp.fraction > 999999999)
        return CONVERT_DATETIME;
    out->family = FAMILY_TIMESTAMP;
    out->precision = 9;
    out->instant.us =
        date_from_civil(stamp.year, stamp.month, stamp.day) * US_PER_DAY +
        ((int64_t)stamp.hour * 3600 + stamp.minute * 60 + stamp.second) * US_PER_SECOND +
        stamp.fraction / 1000;
    out->instant.ns = (int32_t)(stamp.fraction % 1000);
    return CONVERT_OK;
}

static ConvertCode guid_from_c(const void *data, Cell *out) {
    SQLGUID guid;
    memcpy(&guid, data, sizeof guid);
    out->family = FAMILY_UUID;
    for (int i = 0; i < 4; i++) out->uuid[i] = (uint8_t)(guid.Data1 >> (24 - 8 * i));
    out->uuid[4] = (uint8_t)(guid.Data2 >> 8);
    out->uuid[5] = (uint8_t)guid.Data2;
    out->uuid[6] = (uint8_t)(guid.Data3 >> 8);
    out->uuid[7] = (uint8_t)guid.Data3;
    memcpy(out->uuid + 8, guid.Data4, 8);
    return CONVERT_OK;
}

/* Digits of the fraction in an interval structure; the specification's default is 6. */
static int seconds_digits(const Parameter *self) {
    if (!self->given.set || self->given.precision < 0) return 6;
    return self->given.precision > 9 ? 9 : self->given.precision;
}

static ConvertCode cell_from_c(const Parameter *self, SQLSMALLINT ctype, const void *data,
                               Arena *arena, Cell *out, Error *err) {
    memset(out, 0, sizeof *out);
    switch (convert_class(ctype)) {
    case C_CHAR:
    case C_WCHAR:
        out->family = FAMILY_TEXT;
        return text_from_c(ctype, data, self->length, arena, &out->text, err);
    case C_BINARY:
        if (self->length < 0) return CONVERT_INVALID;
        out->family = FAMILY_BYTES;
        out->text = (Str){data, (size_t)self->length};
        return CONVERT_OK;
    case C_BIT:
        out->family = FAMILY_BOOL;
        out->integer = *(const uint8_t *)data;
        return out->integer <= 1 ? CONVERT_OK : CONVERT_RANGE;
    case C_UINT64: {
        uint64_t value;
        memcpy(&value, data, sizeof value);
        out->family = FAMILY_DECIMAL;
        out->decimal = value;
        return CONVERT_OK;
    }
    case C_FLOAT:
    case C_DOUBLE: return real_from_c(ctype, data, out);
    case C_NUMERIC: return numeric_from_c(data, out);
    case C_DATE: return date_from_c(data, out);
    case C_TIME: return time_from_c(data, out);
    case C_TIMESTAMP: return timestamp_from_c(data, out);
    case C_GUID: return guid_from_c(data, out);
    case C_YM_FIELD:
    case C_YM:
    case C_DS_FIELD:
    case C_DS: return interval_from_c(ctype, data, seconds_digits(self), out);
    default:
        out->family = FAMILY_INTEGER;
        return integer_from_c(ctype, data, &out->integer) ? CONVERT_OK : CONVERT_RESTRICTED;
    }
}

/* ---- a cell as a value of the engine */

/* A size of 0 says nothing; nor does the one that this driver reports for texts without a bound. */
static bool is_too_long(const Parameter *self, size_t length) {
    return self->size > 0 && self->size != self->unbounded && length > self->size;
}

static ConvertCode text_keep(const Parameter *self, Str text, TribValue *out) {
    if (is_too_long(self, utf8_length(text.data, text.len))) return CONVERT_TOO_LONG;
    out->as.text.data = text.data;
    out->as.text.length = text.len;
    return CONVERT_OK;
}

/* Digits that a fraction in nanoseconds needs, by threes: a value is as exact as it was given. */
static uint8_t fraction_digits(int64_t ns) {
    return ns == 0 ? 0 : ns % 1000000 == 0 ? 3 : ns % 1000 == 0 ? 6 : 9;
}

/* Bytes are UTF-8 in both directions. */
static ConvertCode value_text(const Parameter *self, const Cell *cell, Arena *arena, TribValue *out,
                              Error *err) {
    char small[CONVERT_TEXT_MAX];
    Cell exact = *cell;
    Str text;
    size_t whole;
    if (cell->family == FAMILY_TEXT) return text_keep(self, cell->text, out);
    if (cell->family == FAMILY_BYTES) {
        if (utf8_valid(cell->text.data, cell->text.len)) return text_keep(self, cell->text, out);
        (void)error_set(err, ERR_INVALID_ENCODING,
                        "the bytes of the parameter are not valid UTF-8");
        return CONVERT_ENGINE;
    }
    if (cell->family == FAMILY_TIMESTAMP)
        exact.precision =
            cell->instant.ns ? 9 : fraction_digits(cell->instant.us % US_PER_SECOND * 1000);
    ConvertCode code = cell_text(&exact, small, NULL, &text, &whole, err);
    if (code != CONVERT_OK) return code;
    text.data = arena_copy(arena, text.data, text.len);
    if (text.data) return text_keep(self, text, out);
    (void)error_out_of_memory(err);
    return CONVERT_ENGINE;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Binary parameters: bytes as they are, character data as pairs of hexadecimal digits. The
 * specification: the last of an odd number of characters is not converted. */
static ConvertCode value_bytes(const Parameter *self, const Cell *cell, Arena *arena,
                               TribValue *out, Error *err) {
    size_t length = cell->family == FAMILY_TEXT ? cell->text.len / 2 : cell->text.len;
    if (cell->family != FAMILY_TEXT && cell->family != FAMILY_BYTES) return CONVERT_RESTRICTED;
    if (is_too_long(self, length)) return CONVERT_TOO_LONG;
    out->as.text.length = length;
    out->as.text.data = cell->text.data;
    if (cell->family == FAMILY_BYTES) return CONVERT_OK;
    char *bytes = arena_alloc(arena, length + 1);
    if (!bytes) {
        (void)error_out_of_memory(err);
        return CONVERT_ENGINE;
    }
    for (size_t i = 0; i < length; i++) {
        int high = hex_value(cell->text.data[i * 2]), low = hex_value(cell->text.data[i * 2 + 1]);
        if (high < 0 || low < 0) return CONVERT_INVALID;
        bytes[i] = (char)(high << 4 | low);
    }
    out->as.text.data = bytes;
    return CONVERT_OK;
}

static ConvertCode value_integer(const Cell *cell, Int128 low, Int128 high, TribValue *out) {
    Int128 wide;
    bool fraction;
    ConvertCode code = cell_integer(cell, &wide, &fraction);
    if (code != CONVERT_OK) return code;
    if (wide < low || wide > high) return CONVERT_RANGE;
    out->as.integer = (int64_t)wide;
    return fraction ? CONVERT_FRACTION : CONVERT_OK;
}

/* 0 and 1; what lies between them, or between 1 and 2, is 22001. */
static ConvertCode value_bit(const Cell *cell, TribValue *out) {
    ConvertCode code = value_integer(cell, 0, 1, out);
    if (code != CONVERT_FRACTION) return code;
    return cell_negative(cell) ? CONVERT_RANGE : CONVERT_TOO_LONG;
}

/* In the precision and scale that were declared; exactly, if none were. */
static ConvertCode value_decimal(const Parameter *self, const Cell *cell, TribType type,
                                 TribValue *out) {
    bool declared = self->size > 0 || self->digits > 0;
    int scale = declared ? type.scale : -1;
    Int128 wide;
    bool fraction;
    ConvertCode code = cell_decimal(cell, &scale, &wide, &fraction);
    if (code != CONVERT_OK) return code;
    if (declared && !decimal_fits(wide, type.precision)) return CONVERT_RANGE;
    uint8_t digits = 1;
    Int128 magnitude = wide < 0 ? -wide : wide;
    while (digits < DECIMAL_MAX_DIGITS && magnitude >= decimal_powers[digits]) digits++;
    if (digits < scale) digits = (uint8_t)scale;
    out->type.scale = (int8_t)scale;
    out->type.precision = declared ? type.precision : digits;
    if (out->type.precision <= 18)
        out->as.integer = (int64_t)wide;
    else
        out->as.wide = wide;
    return fraction ? CONVERT_FRACTION : CONVERT_OK;
}

/* Whether a fraction has no more digits than were declared: DecimalDigits, or what the column size
 * has room for behind `plain` characters and the point. Nothing declared: any. */
static bool fraction_declared(const Parameter *self, int64_t ns, SQLULEN plain) {
    if (self->size == 0 && self->digits == 0) return true;
    int64_t digits = self->size > plain + 1 ? (int64_t)(self->size - plain - 1) : 0, unit = 1;
    if (digits < self->digits) digits = self->digits;
    for (; digits < 9; digits++) unit *= 10;
    return ns % unit == 0;
}

static ConvertCode value_timestamp(const Parameter *self, const Cell *cell, TribValue *out) {
    int64_t us;
    int32_t ns;
    ConvertCode code = cell_timestamp(cell, &us, &ns);
    if (code != CONVERT_OK) return code;
    int64_t fraction = us % US_PER_SECOND * 1000 + ns;
    if (!fraction_declared(self, fraction, 19)) return CONVERT_DATE_RANGE;
    out->type.precision = ns ? 9 : fraction_digits(fraction);
    if (ns) {
        out->as.instant.us = us;
        out->as.instant.ns = ns;
    } else {
        out->as.integer = us;
    }
    return CONVERT_OK;
}

/* 22008: the fraction of a timestamp whose time is wanted in whole seconds. */
static ConvertCode value_time(const Parameter *self, const Cell *cell, TribValue *out) {
    int64_t plain;
    ConvertCode code = cell_time(cell, &out->as.integer);
    if (code != CONVERT_OK) return code;
    int64_t fraction = out->as.integer % 1000000000;
    bool stamp = cell->family == FAMILY_TIMESTAMP ||
                 (cell->family == FAMILY_TEXT && !cell_is_time(cell, &plain));
    if (stamp && self->size == 0 && self->digits == 0 && fraction) return CONVERT_DATE_RANGE;
    if (!fraction_declared(self, fraction, 8)) return CONVERT_DATE_RANGE;
    out->type.precision = fraction_digits(fraction);
    return CONVERT_OK;
}

static ConvertCode value_date(const Cell *cell, TribValue *out) {
    int32_t days;
    bool dropped;
    ConvertCode code = cell_date(cell, &days, &dropped);
    if (code != CONVERT_OK) return code;
    out->as.integer = days;
    return dropped ? CONVERT_DATE_RANGE : CONVERT_OK; /* 22008: the time is not zero */
}

static ConvertCode value_uuid(const Cell *cell, Arena *arena, TribValue *out, Error *err) {
    uint8_t bytes[16];
    ConvertCode code = cell_uuid(cell, bytes);
    if (code != CONVERT_OK) return code;
    out->as.text.data = arena_copy(arena, bytes, sizeof bytes);
    out->as.text.length = sizeof bytes;
    if (out->as.text.data) return CONVERT_OK;
    (void)error_out_of_memory(err);
    return CONVERT_ENGINE;
}

static ConvertCode value_interval(const Parameter *self, const Cell *cell, TribValue *out) {
    bool fraction;
    ConvertCode code = cell_interval(cell, self->concise, &out->as.integer, &fraction);
    if (code != CONVERT_OK) return code;
    if (fraction || !interval_holds(out->as.integer, self->concise, self->leading))
        return CONVERT_INTERVAL;
    return CONVERT_OK;
}

static ConvertCode value_real(const Cell *cell, TribType type, TribValue *out) {
    ConvertCode code = cell_real(cell, &out->as.real);
    if (code != CONVERT_OK || type.id == TRIB_TYPE_DOUBLE) return code;
    return isfinite(out->as.real) && fabs(out->as.real) >= FLOAT_LIMIT ? CONVERT_RANGE : CONVERT_OK;
}

static ConvertCode cell_value(const Parameter *self, const Cell *cell, Arena *arena, TribValue *out,
                              Error *err) {
    TribType type = out->type;
    switch (type.id) {
    case TRIB_TYPE_VARCHAR: return value_text(self, cell, arena, out, err);
    case TRIB_TYPE_VARBINARY: return value_bytes(self, cell, arena, out, err);
    case TRIB_TYPE_BOOLEAN: return value_bit(cell, out);
    case TRIB_TYPE_TINYINT: return value_integer(cell, INT8_MIN, INT8_MAX, out);
    case TRIB_TYPE_SMALLINT: return value_integer(cell, INT16_MIN, INT16_MAX, out);
    case TRIB_TYPE_INTEGER: return value_integer(cell, INT32_MIN, INT32_MAX, out);
    case TRIB_TYPE_BIGINT: return value_integer(cell, INT64_MIN, INT64_MAX, out);
    case TRIB_TYPE_DECIMAL: return value_decimal(self, cell, type, out);
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return value_real(cell, type, out);
    case TRIB_TYPE_DATE: return value_date(cell, out);
    case TRIB_TYPE_TIME: return value_time(self, cell, out);
    case TRIB_TYPE_TIMESTAMP: return value_timestamp(self, cell, out);
    case TRIB_TYPE_UUID: return value_uuid(cell, arena, out, err);
    case TRIB_TYPE_INTERVAL_YM:
    case TRIB_TYPE_INTERVAL_DS: return value_interval(self, cell, out);
    default: return CONVERT_RESTRICTED;
    }
}

/* The specification: the bytes of a value as this machine holds it, or 22003. */
static ConvertCode bytes_as_value(const Parameter *self, const void *data, Arena *arena, Cell *out,
                                  Error *err) {
    SQLSMALLINT ctype = ctype_default(self->concise);
    size_t size = ctype_size(ctype);
    if (self->length < 0 || (size > 0 && (size_t)self->length != size)) return CONVERT_RANGE;
    if (self->concise == SQL_GUID) ctype = SQL_C_BINARY; /* in the order of its text */
    return cell_from_c(self, ctype, data, arena, out, err);
}

ConvertCode convert_parameter(const Parameter *self, const void *data, Arena *arena, TribValue *out,
                              Error *err) {
    Cell cell;
    ConvertCode code;
    *out = (TribValue){.type = sqltype_parameter(self->concise, self->size, self->digits)};
    if (!convert_parameter_allowed(self->ctype, self->concise)) return CONVERT_RESTRICTED;
    bool plain = out->type.id == TRIB_TYPE_VARCHAR || out->type.id == TRIB_TYPE_VARBINARY;
    code = self->ctype == SQL_C_BINARY && !plain
               ? bytes_as_value(self, data, arena, &cell, err)
               : cell_from_c(self, self->ctype, data, arena, &cell, err);
    if (code == CONVERT_DATETIME && plain) return CONVERT_DATE_RANGE; /* 22008 for texts */
    if (code == CONVERT_OK) code = cell_value(self, &cell, arena, out, err);
    return code == CONVERT_FRACTION && cell.family == FAMILY_TEXT ? CONVERT_TOO_LONG : code;
}
