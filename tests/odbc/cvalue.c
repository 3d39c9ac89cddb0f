/*
 * cvalue.c - C values of ODBC from text. Knows nothing of the driver's own conversions.
 */
#include "tests/odbc/cvalue.h"

#include <stdlib.h>
#include <time.h>

#define INTERVAL sizeof(SQL_INTERVAL_STRUCT)
#define TYPE(code, size) \
    { code, #code, size }

static const struct {
    SQLSMALLINT code;
    const char *name;
    size_t size;
} types[] = {
    TYPE(SQL_C_CHAR, 0),
    TYPE(SQL_C_WCHAR, 0),
    TYPE(SQL_C_BINARY, 0),
    TYPE(SQL_C_BIT, 1),
    TYPE(SQL_C_TINYINT, 1),
    TYPE(SQL_C_STINYINT, 1),
    TYPE(SQL_C_UTINYINT, 1),
    TYPE(SQL_C_SHORT, 2),
    TYPE(SQL_C_SSHORT, 2),
    TYPE(SQL_C_USHORT, 2),
    TYPE(SQL_C_LONG, 4),
    TYPE(SQL_C_SLONG, 4),
    TYPE(SQL_C_ULONG, 4),
    TYPE(SQL_C_SBIGINT, 8),
    TYPE(SQL_C_UBIGINT, 8),
    TYPE(SQL_C_FLOAT, 4),
    TYPE(SQL_C_DOUBLE, 8),
    TYPE(SQL_C_NUMERIC, sizeof(SQL_NUMERIC_STRUCT)),
    TYPE(SQL_C_DATE, 6),
    TYPE(SQL_C_TYPE_DATE, 6),
    TYPE(SQL_C_TIME, 6),
    TYPE(SQL_C_TYPE_TIME, 6),
    TYPE(SQL_C_TIMESTAMP, 16),
    TYPE(SQL_C_TYPE_TIMESTAMP, 16),
    TYPE(SQL_C_GUID, 16),
    TYPE(SQL_C_INTERVAL_YEAR, INTERVAL),
    TYPE(SQL_C_INTERVAL_MONTH, INTERVAL),
    TYPE(SQL_C_INTERVAL_DAY, INTERVAL),
    TYPE(SQL_C_INTERVAL_HOUR, INTERVAL),
    TYPE(SQL_C_INTERVAL_MINUTE, INTERVAL),
    TYPE(SQL_C_INTERVAL_SECOND, INTERVAL),
    TYPE(SQL_C_INTERVAL_YEAR_TO_MONTH, INTERVAL),
    TYPE(SQL_C_INTERVAL_DAY_TO_HOUR, INTERVAL),
    TYPE(SQL_C_INTERVAL_DAY_TO_MINUTE, INTERVAL),
    TYPE(SQL_C_INTERVAL_DAY_TO_SECOND, INTERVAL),
    TYPE(SQL_C_INTERVAL_HOUR_TO_MINUTE, INTERVAL),
    TYPE(SQL_C_INTERVAL_HOUR_TO_SECOND, INTERVAL),
    TYPE(SQL_C_INTERVAL_MINUTE_TO_SECOND, INTERVAL),
};

const size_t cvalue_type_count = sizeof types / sizeof *types;

SQLSMALLINT cvalue_type(size_t index) {
    return types[index].code;
}

static size_t type_index(SQLSMALLINT ctype) {
    for (size_t i = 0; i < cvalue_type_count; i++)
        if (types[i].code == ctype) return i;
    fail_msg("%d is no C type", (int)ctype);
    return 0;
}

const char *cvalue_type_name(SQLSMALLINT ctype) {
    return types[type_index(ctype)].name;
}

size_t cvalue_size(SQLSMALLINT ctype) {
    return types[type_index(ctype)].size;
}

static size_t encode_hex(const char *text, unsigned char *out) {
    size_t n = strlen(text) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(text + i * 2, "%2x", &byte), 1);
        out[i] = (unsigned char)byte;
    }
    return n;
}

/* Little-endian, as everywhere where this runs. */
static size_t encode_integer(const char *text, size_t size, void *out) {
    unsigned long long value =
        text[0] == '-' ? (unsigned long long)strtoll(text, NULL, 10) : strtoull(text, NULL, 10);
    memcpy(out, &value, size);
    return size;
}

static size_t encode_numeric(const char *text, void *out) {
    SQL_NUMERIC_STRUCT numeric;
    int precision, scale, at;
    char sign;
    memset(&numeric, 0, sizeof numeric);
    assert_int_equal(sscanf(text, "%d %d %c %n", &precision, &scale, &sign, &at), 3);
    numeric.precision = (SQLCHAR)precision;
    numeric.scale = (SQLSCHAR)scale;
    numeric.sign = sign == '+';
    for (const char *p = text + at; *p; p++) { /* val = val * 10 + digit */
        unsigned carry = (unsigned)(*p - '0');
        for (int i = 0; i < SQL_MAX_NUMERIC_LEN; i++) {
            carry += numeric.val[i] * 10u;
            numeric.val[i] = (SQLCHAR)carry;
            carry >>= 8;
        }
    }
    memcpy(out, &numeric, sizeof numeric);
    return sizeof numeric;
}

static size_t encode_guid(const char *text, void *out) {
    SQLGUID guid;
    unsigned a, b, c, d[8];
    assert_int_equal(sscanf(text, "%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x", &a, &b, &c, &d[0], &d[1],
                            &d[2], &d[3], &d[4], &d[5], &d[6], &d[7]),
                     11);
    guid.Data1 = a;
    guid.Data2 = (unsigned short)b;
    guid.Data3 = (unsigned short)c;
    for (int i = 0; i < 8; i++) guid.Data4[i] = (unsigned char)d[i];
    memcpy(out, &guid, sizeof guid);
    return sizeof guid;
}

static size_t encode_timestamp(const char *text, void *out) {
    SQL_TIMESTAMP_STRUCT stamp;
    int year, month, day, hour, minute, second;
    unsigned fraction;
    memset(&stamp, 0, sizeof stamp);
    if (strncmp(text, "today ", 6) == 0) { /* in UTC, as the driver's clock */
        time_t now = time(NULL);
        struct tm tm;
        gmtime_r(&now, &tm);
        year = tm.tm_year + 1900;
        month = tm.tm_mon + 1;
        day = tm.tm_mday;
        assert_int_equal(sscanf(text + 6, "%d:%d:%d %u", &hour, &minute, &second, &fraction), 4);
    } else {
        assert_int_equal(sscanf(text, "%d-%d-%d %d:%d:%d %u", &year, &month, &day, &hour, &minute,
                                &second, &fraction),
                         7);
    }
    stamp = (SQL_TIMESTAMP_STRUCT){(SQLSMALLINT)year,    (SQLUSMALLINT)month,  (SQLUSMALLINT)day,
                                   (SQLUSMALLINT)hour,   (SQLUSMALLINT)minute, (SQLUSMALLINT)second,
                                   (SQLUINTEGER)fraction};
    memcpy(out, &stamp, sizeof stamp);
    return sizeof stamp;
}

static size_t encode_interval(SQLSMALLINT ctype, const char *text, void *out) {
    SQL_INTERVAL_STRUCT interval;
    char sign;
    unsigned f[5] = {0};
    memset(&interval, 0, sizeof interval);
    int fields = sscanf(text, "%c %u %u %u %u %u", &sign, &f[0], &f[1], &f[2], &f[3], &f[4]) - 1;
    interval.interval_type = (SQLINTERVAL)(ctype - SQL_C_INTERVAL_YEAR + SQL_IS_YEAR);
    interval.interval_sign = sign == '-';
    if (ctype == SQL_C_INTERVAL_YEAR || ctype == SQL_C_INTERVAL_MONTH ||
        ctype == SQL_C_INTERVAL_YEAR_TO_MONTH) {
        assert_int_equal(fields, 2);
        interval.intval.year_month.year = f[0];
        interval.intval.year_month.month = f[1];
    } else {
        assert_int_equal(fields, 5);
        interval.intval.day_second = (SQL_DAY_SECOND_STRUCT){f[0], f[1], f[2], f[3], f[4]};
    }
    memcpy(out, &interval, sizeof interval);
    return sizeof interval;
}

size_t cvalue_encode(SQLSMALLINT ctype, const char *text, void *out) {
    int a, b, c;
    switch (ctype) {
    case SQL_C_CHAR: memcpy(out, text, strlen(text)); return strlen(text);
    case SQL_C_WCHAR: return utf16_encode(text, out) * 2;
    case SQL_C_BINARY: return encode_hex(text, out);
    case SQL_C_FLOAT: {
        float value = strtof(text, NULL);
        memcpy(out, &value, sizeof value);
        return sizeof value;
    }
    case SQL_C_DOUBLE: {
        double value = strtod(text, NULL);
        memcpy(out, &value, sizeof value);
        return sizeof value;
    }
    case SQL_C_NUMERIC: return encode_numeric(text, out);
    case SQL_C_DATE:
    case SQL_C_TYPE_DATE: {
        assert_int_equal(sscanf(text, "%d-%d-%d", &a, &b, &c), 3);
        SQL_DATE_STRUCT date = {(SQLSMALLINT)a, (SQLUSMALLINT)b, (SQLUSMALLINT)c};
        memcpy(out, &date, sizeof date);
        return sizeof date;
    }
    case SQL_C_TIME:
    case SQL_C_TYPE_TIME: {
        assert_int_equal(sscanf(text, "%d:%d:%d", &a, &b, &c), 3);
        SQL_TIME_STRUCT time = {(SQLUSMALLINT)a, (SQLUSMALLINT)b, (SQLUSMALLINT)c};
        memcpy(out, &time, sizeof time);
        return sizeof time;
    }
    case SQL_C_TIMESTAMP:
    case SQL_C_TYPE_TIMESTAMP: return encode_timestamp(text, out);
    case SQL_C_GUID: return encode_guid(text, out);
    default: break;
    }
    if (ctype >= SQL_C_INTERVAL_YEAR && ctype <= SQL_C_INTERVAL_MINUTE_TO_SECOND)
        return encode_interval(ctype, text, out);
    return encode_integer(text, cvalue_size(ctype), out);
}
