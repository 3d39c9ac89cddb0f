/*
 * cvalue.h - C values of ODBC written as text, for tables of conversions.
 *
 *   SQL_C_CHAR            the text itself
 *   SQL_C_WCHAR           the text (UTF-8), converted
 *   SQL_C_BINARY          hexadecimal digits
 *   integers, SQL_C_BIT   decimal digits
 *   SQL_C_FLOAT, _DOUBLE  a number
 *   SQL_C_NUMERIC         precision scale sign digits: "10 2 + 129999"
 *   dates, times          "2024-01-15", "10:20:30"
 *   timestamps            "2024-01-15 10:20:30 123456789" (nanoseconds); "today 10:20:30 0"
 *   SQL_C_GUID            the usual text
 *   intervals             sign and all fields: "+ 1 6" (years, months), "- 2 3 4 5 678000"
 */
#ifndef TRIB_TESTS_CVALUE_H
#define TRIB_TESTS_CVALUE_H

#include "tests/odbc/odbc_test.h"

/* Every C type of ODBC 3 and those of version 2. */
SQLSMALLINT cvalue_type(size_t index);
extern const size_t cvalue_type_count;
const char *cvalue_type_name(SQLSMALLINT ctype);

/* Bytes of a fixed C type; 0: CHAR, WCHAR, BINARY. */
size_t cvalue_size(SQLSMALLINT ctype);
/* Bytes that were written, terminators excluded. Depends on LC_NUMERIC: call it before setlocale. */
size_t cvalue_encode(SQLSMALLINT ctype, const char *text, void *out);

#endif
