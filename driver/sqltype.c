/*
 * sqltype.c - the table of types. Sizes follow the specification's appendix D (column size, decimal
 * digits, transfer octet length, display size).
 */
#include "driver/sqltype.h"

#include <stdio.h>

#define ZONE_TEXT        33 /* a blank and the longest name of a time zone */
#define INTERVAL_LEADING 9

typedef struct TypeRow {
    SQLSMALLINT concise;
    uint16_t size, display, octets; /* of types without parameters */
    int8_t digits;
    uint8_t radix;
    const char *prefix, *suffix;
    SQLSMALLINT searchable;
    const char *name;
} TypeRow;

static const TypeRow type_rows[] = {
    [TRIB_TYPE_UNKNOWN] = {SQL_WVARCHAR, 1, 1, 2, -1, 0, "", "", SQL_PRED_NONE, "unknown"},
    [TRIB_TYPE_BOOLEAN] = {SQL_BIT, 1, 1, 1, -1, 0, "", "", SQL_PRED_BASIC, "boolean"},
    [TRIB_TYPE_TINYINT] = {SQL_TINYINT, 3, 4, 1, 0, 10, "", "", SQL_PRED_BASIC, "tinyint"},
    [TRIB_TYPE_SMALLINT] = {SQL_SMALLINT, 5, 6, 2, 0, 10, "", "", SQL_PRED_BASIC, "smallint"},
    [TRIB_TYPE_INTEGER] = {SQL_INTEGER, 10, 11, 4, 0, 10, "", "", SQL_PRED_BASIC, "integer"},
    [TRIB_TYPE_BIGINT] = {SQL_BIGINT, 19, 20, 8, 0, 10, "", "", SQL_PRED_BASIC, "bigint"},
    [TRIB_TYPE_REAL] = {SQL_REAL, 7, 14, 4, -1, 10, "", "", SQL_PRED_BASIC, "real"},
    [TRIB_TYPE_DOUBLE] = {SQL_DOUBLE, 15, 24, 8, -1, 10, "", "", SQL_PRED_BASIC, "double"},
    [TRIB_TYPE_DECIMAL] = {SQL_DECIMAL, 38, 40, 40, 0, 10, "", "", SQL_PRED_BASIC, "decimal"},
    [TRIB_TYPE_VARCHAR] = {SQL_WVARCHAR, 0, 0, 0, -1, 0, "'", "'", SQL_SEARCHABLE, "varchar"},
    [TRIB_TYPE_CHAR] = {SQL_WCHAR, 0, 0, 0, -1, 0, "'", "'", SQL_SEARCHABLE, "char"},
    [TRIB_TYPE_VARBINARY] = {SQL_VARBINARY, 0, 0, 0, -1, 0, "X'", "'", SQL_PRED_BASIC, "varbinary"},
    [TRIB_TYPE_DATE] = {SQL_TYPE_DATE, 10, 10, sizeof(SQL_DATE_STRUCT), -1, 0, "DATE '", "'",
                        SQL_PRED_BASIC, "date"},
    [TRIB_TYPE_TIME] = {SQL_TYPE_TIME, 8, 8, sizeof(SQL_TIME_STRUCT), 0, 0, "TIME '", "'",
                        SQL_PRED_BASIC, "time"},
    [TRIB_TYPE_TIMESTAMP] = {SQL_TYPE_TIMESTAMP, 19, 19, sizeof(SQL_TIMESTAMP_STRUCT), 0, 0,
                             "TIMESTAMP '", "'", SQL_PRED_BASIC, "timestamp"},
    [TRIB_TYPE_TIMESTAMP_TZ] = {SQL_TYPE_TIMESTAMP, 19, 19 + ZONE_TEXT,
                                sizeof(SQL_TIMESTAMP_STRUCT), 0, 0, "TIMESTAMP '", "'",
                                SQL_PRED_BASIC, "timestamp with time zone"},
    [TRIB_TYPE_INTERVAL_YM] = {SQL_INTERVAL_YEAR_TO_MONTH, INTERVAL_LEADING + 3,
                               INTERVAL_LEADING + 4, sizeof(SQL_INTERVAL_STRUCT), 0, 0,
                               "INTERVAL '", "' YEAR TO MONTH", SQL_PRED_BASIC,
                               "interval year to month"},
    [TRIB_TYPE_INTERVAL_DS] = {SQL_INTERVAL_DAY_TO_SECOND, INTERVAL_LEADING + 16,
                               INTERVAL_LEADING + 17, sizeof(SQL_INTERVAL_STRUCT), 6, 0,
                               "INTERVAL '", "' DAY TO SECOND", SQL_PRED_BASIC,
                               "interval day to second"},
    [TRIB_TYPE_UUID] = {SQL_GUID, 36, 36, 16, -1, 0, "UUID '", "'", SQL_PRED_BASIC, "uuid"},
    [TRIB_TYPE_JSON] = {SQL_WVARCHAR, 0, 0, 0, -1, 0, "JSON '", "'", SQL_PRED_NONE, "json"},
    [TRIB_TYPE_ARRAY] = {SQL_WVARCHAR, 0, 0, 0, -1, 0, "", "", SQL_PRED_NONE, "array"},
    [TRIB_TYPE_MAP] = {SQL_WVARCHAR, 0, 0, 0, -1, 0, "", "", SQL_PRED_NONE, "map"},
    [TRIB_TYPE_ROW] = {SQL_WVARCHAR, 0, 0, 0, -1, 0, "", "", SQL_PRED_NONE, "row"},
    [TRIB_TYPE_TIME_TZ] = {SQL_TYPE_TIME, 8, 8 + 6, sizeof(SQL_TIME_STRUCT), 0, 0, "TIME '", "'",
                           SQL_PRED_BASIC, "time with time zone"},
};

/* Beyond this a bound says what the source can hold, not what a buffer should. */
#define BOUND_MAX 65535u

static const TypeRow *type_row(TribType type) {
    return &type_rows[type.id < COUNT_OF(type_rows) ? type.id : TRIB_TYPE_VARCHAR];
}

static bool sqltype_long(TribType type) {
    return (type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_VARBINARY) &&
           type.length == TRIB_LENGTH_LONG;
}

static void size_text(TribType type, const SizeDefaults *defaults, SqlType *out) {
    bool nested = type.id == TRIB_TYPE_ARRAY || type.id == TRIB_TYPE_MAP || type.id == TRIB_TYPE_ROW
    || type.id == TRIB_TYPE_JSON;
    SQLULEN size = nested ? defaults->nested : defaults->text;
    if (!nested && type.length > 0 && type.length <= BOUND_MAX) size = type.length;
    out->size = size;
    out->octets = (SQLLEN)(type.id == TRIB_TYPE_VARBINARY ? size : size * 2);
    out->display = (SQLLEN)(type.id == TRIB_TYPE_VARBINARY ? size * 2 : size);
}

static void size_fraction(TribType type, SqlType *out) {
    SQLLEN more = type.precision ? type.precision + 1 : 0;
    out->size += (SQLULEN)more;
    out->display += more;
    out->digits = type.precision;
}

/* What the descriptor calls precision and scale. */
static void size_descriptor(TribType type, SqlType *out) {
    switch (out->verbose) {
    case SQL_DATETIME: out->precision = out->digits < 0 ? 0 : out->digits; break;
    case SQL_INTERVAL:
        out->precision = out->digits;
        out->interval_precision = INTERVAL_LEADING;
        break;
    default: out->precision = out->radix ? (SQLSMALLINT)out->size : 0;
    }
    out->scale = type.id == TRIB_TYPE_DECIMAL ? type.scale : 0;
}

bool sqltype_is_characters(SQLSMALLINT concise) {
    return concise == SQL_CHAR || concise == SQL_VARCHAR || concise == SQL_LONGVARCHAR ||
           concise == SQL_WCHAR || concise == SQL_WVARCHAR || concise == SQL_WLONGVARCHAR;
}

/* A text as programs know it that have no wide ones: four bytes of UTF-8 hold any character. */
static void narrow_text(SqlType *out) {
    out->concise = out->verbose = out->concise == SQL_WCHAR      ? SQL_CHAR
                                  : out->concise == SQL_WVARCHAR ? SQL_VARCHAR
                                                                 : SQL_LONGVARCHAR;
    out->octets = (SQLLEN)(out->size * 4);
}

void sqltype_of(TribType type, const SizeDefaults *defaults, SqlType *out) {
    const TypeRow *row = type_row(type);
    *out = (SqlType){.concise = row->concise,
                     .size = row->size,
                     .digits = row->digits,
                     .display = row->display,
                     .octets = row->octets,
                     .radix = row->radix,
                     .prefix = row->prefix,
                     .suffix = row->suffix,
                     .searchable = row->searchable,
                     .is_unsigned = row->radix == 0};
    if (!sqltype_split(row->concise, &out->verbose, &out->subcode)) out->verbose = row->concise;
    switch (type.id) {
    case TRIB_TYPE_DECIMAL:
        out->size = type.precision;
        out->digits = type.scale;
        out->display = out->octets = type.precision + 2;
        break;
    case TRIB_TYPE_TIME:
    case TRIB_TYPE_TIME_TZ:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: size_fraction(type, out); break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_JSON:
    case TRIB_TYPE_ARRAY:
    case TRIB_TYPE_MAP:
    case TRIB_TYPE_ROW:
        if (sqltype_long(type)) {
            out->concise = out->verbose =
                type.id == TRIB_TYPE_VARBINARY ? SQL_LONGVARBINARY : SQL_WLONGVARCHAR;
            type.length = BOUND_MAX;
        }
        size_text(type, defaults, out);
        if (defaults->narrow && sqltype_is_characters(out->concise)) narrow_text(out);
        break;
    default: break;
    }
    out->case_sensitive =
        type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR || type.id == TRIB_TYPE_JSON;
    size_descriptor(type, out);
}

size_t sqltype_name(TribType type, char *out, size_t size) {
    if (type.id == TRIB_TYPE_ARRAY || type.id == TRIB_TYPE_MAP || type.id == TRIB_TYPE_ROW) {
        if (type.fields) return engine_type_name(type, out, size);
    }
    const char *name = !sqltype_long(type)              ? type_row(type)->name
                       : type.id == TRIB_TYPE_VARBINARY ? "blob"
                                                        : "text";
    size_t length = strlen(name);
    if (length >= size) length = size - 1;
    memcpy(out, name, length);
    out[length] = 0;
    return length;
}

SQLSMALLINT sqltype_code(SQLSMALLINT concise, bool odbc2) {
    if (odbc2 && concise >= SQL_TYPE_DATE && concise <= SQL_TYPE_TIMESTAMP)
        return (SQLSMALLINT)(concise - SQL_TYPE_DATE + SQL_DATE);
    return concise;
}

SQLSMALLINT sqltype_modern(SQLSMALLINT code) {
    if (code >= SQL_DATE && code <= SQL_TIMESTAMP)
        return (SQLSMALLINT)(code - SQL_DATE + SQL_TYPE_DATE);
    return code;
}

static const SQLSMALLINT plain_types[] = {
    SQL_CHAR,         SQL_VARCHAR, SQL_LONGVARCHAR, SQL_WCHAR,         SQL_WVARCHAR,
    SQL_WLONGVARCHAR, SQL_DECIMAL, SQL_NUMERIC,     SQL_SMALLINT,      SQL_INTEGER,
    SQL_REAL,         SQL_FLOAT,   SQL_DOUBLE,      SQL_BIT,           SQL_TINYINT,
    SQL_BIGINT,       SQL_BINARY,  SQL_VARBINARY,   SQL_LONGVARBINARY, SQL_GUID,
};

bool sqltype_split(SQLSMALLINT concise, SQLSMALLINT *verbose, SQLSMALLINT *subcode) {
    *subcode = 0;
    *verbose = concise;
    if (concise >= SQL_TYPE_DATE && concise <= SQL_TYPE_TIMESTAMP) {
        *verbose = SQL_DATETIME;
        *subcode = (SQLSMALLINT)(concise - SQL_TYPE_DATE + SQL_CODE_DATE);
        return true;
    }
    if (concise >= SQL_INTERVAL_YEAR && concise <= SQL_INTERVAL_MINUTE_TO_SECOND) {
        *verbose = SQL_INTERVAL;
        *subcode = (SQLSMALLINT)(concise - SQL_INTERVAL_YEAR + SQL_CODE_YEAR);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(plain_types); i++)
        if (plain_types[i] == concise) return true;
    return false;
}

SQLSMALLINT sqltype_join(SQLSMALLINT verbose, SQLSMALLINT subcode) {
    if (verbose == SQL_DATETIME)
        return subcode >= SQL_CODE_DATE && subcode <= SQL_CODE_TIMESTAMP
                   ? (SQLSMALLINT)(SQL_TYPE_DATE + subcode - SQL_CODE_DATE)
                   : 0;
    if (verbose == SQL_INTERVAL)
        return subcode >= SQL_CODE_YEAR && subcode <= SQL_CODE_MINUTE_TO_SECOND
                   ? (SQLSMALLINT)(SQL_INTERVAL_YEAR + subcode - SQL_CODE_YEAR)
                   : 0;
    return verbose;
}

TribType sqltype_parameter(SQLSMALLINT concise, SQLULEN size, SQLSMALLINT digits) {
    TribType type = {.id = TRIB_TYPE_UNKNOWN};
    switch (concise) {
    case SQL_CHAR:
    case SQL_VARCHAR:
    case SQL_LONGVARCHAR:
    case SQL_WCHAR:
    case SQL_WVARCHAR:
    case SQL_WLONGVARCHAR: type.id = TRIB_TYPE_VARCHAR; break;
    case SQL_DECIMAL:
    case SQL_NUMERIC:
        type.id = TRIB_TYPE_DECIMAL;
        type.precision =
            size > 0 && size <= DECIMAL_MAX_DIGITS ? (uint8_t)size : DECIMAL_MAX_DIGITS;
        type.scale = digits > 0 && digits <= type.precision ? (int8_t)digits : 0;
        break;
    case SQL_BIT: type.id = TRIB_TYPE_BOOLEAN; break;
    case SQL_TINYINT: type.id = TRIB_TYPE_TINYINT; break;
    case SQL_SMALLINT: type.id = TRIB_TYPE_SMALLINT; break;
    case SQL_INTEGER: type.id = TRIB_TYPE_INTEGER; break;
    case SQL_BIGINT: type.id = TRIB_TYPE_BIGINT; break;
    case SQL_REAL: type.id = TRIB_TYPE_REAL; break;
    case SQL_FLOAT:
    case SQL_DOUBLE: type.id = TRIB_TYPE_DOUBLE; break;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY: type.id = TRIB_TYPE_VARBINARY; break;
    case SQL_TYPE_DATE: type.id = TRIB_TYPE_DATE; break;
    case SQL_TYPE_TIME:
        type.id = TRIB_TYPE_TIME;
        type.precision = digits > 0 && digits <= 9 ? (uint8_t)digits : 0;
        break;
    case SQL_TYPE_TIMESTAMP:
        type.id = TRIB_TYPE_TIMESTAMP;
        type.precision = digits > 0 && digits <= 9 ? (uint8_t)digits : 0;
        break;
    case SQL_GUID: type.id = TRIB_TYPE_UUID; break;
    case SQL_INTERVAL_YEAR:
    case SQL_INTERVAL_MONTH:
    case SQL_INTERVAL_YEAR_TO_MONTH: type.id = TRIB_TYPE_INTERVAL_YM; break;
    default:
        if (concise >= SQL_INTERVAL_DAY && concise <= SQL_INTERVAL_MINUTE_TO_SECOND)
            type.id = TRIB_TYPE_INTERVAL_DS;
    }
    return type;
}

typedef struct CTypeRow {
    SQLSMALLINT ctype;
    uint8_t size;
} CTypeRow;

static const CTypeRow ctype_rows[] = {
    {SQL_C_CHAR, 0},
    {SQL_C_WCHAR, 0},
    {SQL_C_BINARY, 0},
    {SQL_C_BIT, 1},
    {SQL_C_TINYINT, 1},
    {SQL_C_STINYINT, 1},
    {SQL_C_UTINYINT, 1},
    {SQL_C_SHORT, 2},
    {SQL_C_SSHORT, 2},
    {SQL_C_USHORT, 2},
    {SQL_C_LONG, 4},
    {SQL_C_SLONG, 4},
    {SQL_C_ULONG, 4},
    {SQL_C_SBIGINT, 8},
    {SQL_C_UBIGINT, 8},
    {SQL_C_FLOAT, 4},
    {SQL_C_DOUBLE, 8},
    {SQL_C_NUMERIC, sizeof(SQL_NUMERIC_STRUCT)},
    {SQL_C_DATE, sizeof(SQL_DATE_STRUCT)},
    {SQL_C_TYPE_DATE, sizeof(SQL_DATE_STRUCT)},
    {SQL_C_TIME, sizeof(SQL_TIME_STRUCT)},
    {SQL_C_TYPE_TIME, sizeof(SQL_TIME_STRUCT)},
    {SQL_C_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)},
    {SQL_C_TYPE_TIMESTAMP, sizeof(SQL_TIMESTAMP_STRUCT)},
    {SQL_C_GUID, sizeof(SQLGUID)},
};

bool ctype_is_interval(SQLSMALLINT ctype) {
    return ctype >= SQL_C_INTERVAL_YEAR && ctype <= SQL_C_INTERVAL_MINUTE_TO_SECOND;
}

bool ctype_valid(SQLSMALLINT ctype) {
    if (ctype_is_interval(ctype)) return true;
    for (size_t i = 0; i < COUNT_OF(ctype_rows); i++)
        if (ctype_rows[i].ctype == ctype) return true;
    return false;
}

size_t ctype_size(SQLSMALLINT ctype) {
    if (ctype_is_interval(ctype)) return sizeof(SQL_INTERVAL_STRUCT);
    for (size_t i = 0; i < COUNT_OF(ctype_rows); i++)
        if (ctype_rows[i].ctype == ctype) return ctype_rows[i].size;
    return 0;
}

SQLSMALLINT ctype_default(SQLSMALLINT sqltype) {
    switch (sqltype_modern(sqltype)) {
    case SQL_WCHAR:
    case SQL_WVARCHAR:
    case SQL_WLONGVARCHAR: return SQL_C_WCHAR;
    case SQL_BIT: return SQL_C_BIT;
    case SQL_TINYINT: return SQL_C_STINYINT;
    case SQL_SMALLINT: return SQL_C_SSHORT;
    case SQL_INTEGER: return SQL_C_SLONG;
    case SQL_BIGINT: return SQL_C_SBIGINT;
    case SQL_REAL: return SQL_C_FLOAT;
    case SQL_FLOAT:
    case SQL_DOUBLE: return SQL_C_DOUBLE;
    case SQL_BINARY:
    case SQL_VARBINARY:
    case SQL_LONGVARBINARY: return SQL_C_BINARY;
    case SQL_TYPE_DATE: return SQL_C_TYPE_DATE;
    case SQL_TYPE_TIME: return SQL_C_TYPE_TIME;
    case SQL_TYPE_TIMESTAMP: return SQL_C_TYPE_TIMESTAMP;
    case SQL_GUID: return SQL_C_GUID;
    default: break;
    }
    if (sqltype >= SQL_INTERVAL_YEAR && sqltype <= SQL_INTERVAL_MINUTE_TO_SECOND)
        return sqltype; /* the C codes equal the SQL codes */
    return SQL_C_CHAR;  /* character types, decimal and numeric */
}
