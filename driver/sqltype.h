/*
 * sqltype.h - how the engine's types look through ODBC: codes, sizes, names. The one place that
 * SQLDescribeCol, SQLColAttribute, SQLColumns, SQLGetTypeInfo and SQLDescribeParam all ask.
 */
#ifndef TRIB_DRIVER_SQLTYPE_H
#define TRIB_DRIVER_SQLTYPE_H

#include "driver/odbc.h"
#include "engine/tributary.h"

/* Lengths reported where the type has no bound of its own, and whether texts are reported as narrow ones. */
typedef struct SizeDefaults {
    uint32_t text, nested;
    bool narrow;
} SizeDefaults;

typedef struct SqlType {
    SQLSMALLINT concise,
        verbose;         /* SQL_... ; verbose: SQL_DATETIME, SQL_INTERVAL for those families */
    SQLSMALLINT subcode; /* SQL_CODE_..., 0 */
    SQLULEN size;        /* column size as in the specification's appendix D */
    SQLSMALLINT digits;  /* decimal digits; -1: not applicable */
    SQLLEN display;      /* characters */
    SQLLEN octets;       /* transfer octet length */
    SQLSMALLINT precision, scale;  /* descriptor fields */
    SQLINTEGER interval_precision; /* leading digits of intervals */
    SQLINTEGER radix;              /* 10, 2, or 0: not a number */
    bool is_unsigned;
    const char *prefix, *suffix; /* of literals; "" */
    SQLSMALLINT searchable;
    bool case_sensitive;
} SqlType;

/* SQL_CHAR ... SQL_WLONGVARCHAR. */
bool sqltype_is_characters(SQLSMALLINT concise);
void sqltype_of(TribType type, const SizeDefaults *defaults, SqlType *out);
/* The base name, "decimal"; nested types in full: "array(bigint)". Length; NUL-terminated. */
size_t sqltype_name(TribType type, char *out, size_t size);
/* Codes of date, time and timestamp in version 2's spelling when odbc2. */
SQLSMALLINT sqltype_code(SQLSMALLINT concise, bool odbc2);
/* 9, 10, 11 become 91, 92, 93; others stay. For codes that an application gives. */
SQLSMALLINT sqltype_modern(SQLSMALLINT code);

/* Facts of an SQL type code as an application names it; false if there is no such type. */
bool sqltype_split(SQLSMALLINT concise, SQLSMALLINT *verbose, SQLSMALLINT *subcode);
SQLSMALLINT sqltype_join(SQLSMALLINT verbose, SQLSMALLINT subcode); /* 0: no such type */
/* The engine's type that a parameter of an SQL type is sent as; id UNKNOWN: none. */
TribType sqltype_parameter(SQLSMALLINT concise, SQLULEN size, SQLSMALLINT digits);

/* C types. */
bool ctype_valid(SQLSMALLINT ctype);  /* SQL_C_DEFAULT, SQL_ARD_TYPE, SQL_APD_TYPE excluded */
size_t ctype_size(SQLSMALLINT ctype); /* 0: of variable length */
SQLSMALLINT ctype_default(SQLSMALLINT sqltype); /* of SQL_C_DEFAULT */
bool ctype_is_interval(SQLSMALLINT ctype);

#endif
