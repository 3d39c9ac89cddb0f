/*
 * test_metadata.c - what is said of columns and parameters: for every type the expected facts, worked
 * out from the specification's appendix D, against SQLDescribeCol, SQLColAttribute (identifiers of
 * versions 2 and 3), the IRD, SQLColumns and SQLGetTypeInfo, before and after execution; and the types
 * that SQLDescribeParam infers.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

#define NESTED 65535
#define TEXTS  4000

typedef struct Fact {
    const char *declared, *name; /* in CREATE TABLE; type name */
    SQLSMALLINT concise, verbose, subcode;
    SQLLEN size, octets, display;
    SQLSMALLINT digits; /* -1: not applicable */
    SQLSMALLINT radix, precision, scale;
    SQLINTEGER leading;
    SQLSMALLINT searchable;
    bool case_sensitive;
    const char *prefix, *suffix, *sample; /* sample: prefix, this and suffix are a literal */
} Fact;

#define PLAIN(concise) concise, concise, 0
#define ALL_BUT_LIKE   SQL_PRED_BASIC

static const Fact facts[] = {
    {"boolean", "boolean", PLAIN(SQL_BIT), 1, 1, 1, -1, 0, 0, 0, 0, ALL_BUT_LIKE, false, "", "",
     "true"},
    {"tinyint", "tinyint", PLAIN(SQL_TINYINT), 3, 1, 4, 0, 10, 3, 0, 0, ALL_BUT_LIKE, false, "", "",
     NULL},
    {"smallint", "smallint", PLAIN(SQL_SMALLINT), 5, 2, 6, 0, 10, 5, 0, 0, ALL_BUT_LIKE, false, "",
     "", NULL},
    {"integer", "integer", PLAIN(SQL_INTEGER), 10, 4, 11, 0, 10, 10, 0, 0, ALL_BUT_LIKE, false, "",
     "", "5"},
    {"bigint", "bigint", PLAIN(SQL_BIGINT), 19, 8, 20, 0, 10, 19, 0, 0, ALL_BUT_LIKE, false, "", "",
     "5000000000"},
    {"real", "real", PLAIN(SQL_REAL), 7, 4, 14, -1, 10, 7, 0, 0, ALL_BUT_LIKE, false, "", "", NULL},
    {"double", "double", PLAIN(SQL_DOUBLE), 15, 8, 24, -1, 10, 15, 0, 0, ALL_BUT_LIKE, false, "",
     "", "1.5E0"},
    {"decimal(10,2)", "decimal", PLAIN(SQL_DECIMAL), 10, 12, 12, 2, 10, 10, 2, 0, ALL_BUT_LIKE,
     false, "", "", "12345678.90"},
    {"decimal(38,10)", "decimal", PLAIN(SQL_DECIMAL), 38, 40, 40, 10, 10, 38, 10, 0, ALL_BUT_LIKE,
     false, "", "", NULL},
    {"varchar(20)", "varchar", PLAIN(SQL_WVARCHAR), 20, 40, 20, -1, 0, 0, 0, 0, SQL_SEARCHABLE,
     true, "'", "'", "abcdefghijabcdefghij"},
    {"varchar", "varchar", PLAIN(SQL_WVARCHAR), TEXTS, TEXTS * 2, TEXTS, -1, 0, 0, 0, 0,
     SQL_SEARCHABLE, true, "'", "'", NULL},
    {"char(5)", "char", PLAIN(SQL_WCHAR), 5, 10, 5, -1, 0, 0, 0, 0, SQL_SEARCHABLE, true, "'", "'",
     NULL},
    {"varbinary", "varbinary", PLAIN(SQL_VARBINARY), TEXTS, TEXTS, TEXTS * 2, -1, 0, 0, 0, 0,
     ALL_BUT_LIKE, false, "X'", "'", "00FF"},
    {"date", "date", SQL_TYPE_DATE, SQL_DATETIME, SQL_CODE_DATE, 10, 6, 10, -1, 0, 0, 0, 0,
     ALL_BUT_LIKE, false, "DATE '", "'", "2024-02-29"},
    {"time(0)", "time", SQL_TYPE_TIME, SQL_DATETIME, SQL_CODE_TIME, 8, 6, 8, 0, 0, 0, 0, 0,
     ALL_BUT_LIKE, false, "TIME '", "'", "12:34:56"},
    {"time(3)", "time", SQL_TYPE_TIME, SQL_DATETIME, SQL_CODE_TIME, 12, 6, 12, 3, 0, 3, 0, 0,
     ALL_BUT_LIKE, false, "TIME '", "'", "12:34:56.789"},
    {"timestamp(0)", "timestamp", SQL_TYPE_TIMESTAMP, SQL_DATETIME, SQL_CODE_TIMESTAMP, 19, 16, 19,
     0, 0, 0, 0, 0, ALL_BUT_LIKE, false, "TIMESTAMP '", "'", "2024-02-29 12:34:56"},
    {"timestamp(6)", "timestamp", SQL_TYPE_TIMESTAMP, SQL_DATETIME, SQL_CODE_TIMESTAMP, 26, 16, 26,
     6, 0, 6, 0, 0, ALL_BUT_LIKE, false, "TIMESTAMP '", "'", "2024-02-29 12:34:56.789012"},
    {"timestamp(9)", "timestamp", SQL_TYPE_TIMESTAMP, SQL_DATETIME, SQL_CODE_TIMESTAMP, 29, 16, 29,
     9, 0, 9, 0, 0, ALL_BUT_LIKE, false, "TIMESTAMP '", "'", "2024-02-29 12:34:56.789012345"},
    {"timestamp(3) with time zone", "timestamp with time zone", SQL_TYPE_TIMESTAMP, SQL_DATETIME,
     SQL_CODE_TIMESTAMP, 23, 16, 56, 3, 0, 3, 0, 0, ALL_BUT_LIKE, false, "TIMESTAMP '", "'",
     "2024-02-29 12:34:56.789 +02:00"},
    {"interval year to month", "interval year to month", SQL_INTERVAL_YEAR_TO_MONTH, SQL_INTERVAL,
     SQL_CODE_YEAR_TO_MONTH, 12, sizeof(SQL_INTERVAL_STRUCT), 13, 0, 0, 0, 0, 9, ALL_BUT_LIKE,
     false, "INTERVAL '", "' YEAR TO MONTH", "1-6"},
    {"interval day to second", "interval day to second", SQL_INTERVAL_DAY_TO_SECOND, SQL_INTERVAL,
     SQL_CODE_DAY_TO_SECOND, 25, sizeof(SQL_INTERVAL_STRUCT), 26, 6, 0, 6, 0, 9, ALL_BUT_LIKE,
     false, "INTERVAL '", "' DAY TO SECOND", "2 03:04:05.678"},
    {"uuid", "uuid", PLAIN(SQL_GUID), 36, 16, 36, -1, 0, 0, 0, 0, ALL_BUT_LIKE, false, "UUID '",
     "'", "00112233-4455-6677-8899-aabbccddeeff"},
    {"json", "json", PLAIN(SQL_WVARCHAR), NESTED, NESTED * 2, NESTED, -1, 0, 0, 0, 0, SQL_PRED_NONE,
     true, "JSON '", "'", "[1]"},
    {"array(bigint)", "array(bigint)", PLAIN(SQL_WVARCHAR), NESTED, NESTED * 2, NESTED, -1, 0, 0, 0,
     0, SQL_PRED_NONE, false, "", "", NULL},
    {"map(varchar, bigint)", "map(varchar, bigint)", PLAIN(SQL_WVARCHAR), NESTED, NESTED * 2,
     NESTED, -1, 0, 0, 0, 0, SQL_PRED_NONE, false, "", "", NULL},
    {"row(a bigint, b varchar)", "row(a bigint, b varchar)", PLAIN(SQL_WVARCHAR), NESTED,
     NESTED * 2, NESTED, -1, 0, 0, 0, 0, SQL_PRED_NONE, false, "", "", NULL},
};
#define NFACTS (sizeof facts / sizeof *facts)

static Odbc odbc;
static char config[] = "/tmp/tributary_metadata_XXXXXX";
static char connection[600];

static int load(void **state) {
    static char text[6000];
    size_t n = (size_t)snprintf(text, sizeof text,
                                "{ \"catalogs\": { \"memory\": { \"type\": \"memory\", \"script\": "
                                "[\"CREATE TABLE memory.default.every (");
    for (size_t i = 0; i < NFACTS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%sc%zu %s%s", i ? ", " : "", i + 1,
                              facts[i].declared, i == 3 ? " NOT NULL" : "");
    snprintf(text + n, sizeof text - n, ")\"] } } }\n");
    file_new(config, text);
    connection_string(connection, sizeof connection, config, CONNECTOR_PATH, "memory");
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    unlink(config);
    return 0;
}

static SQLSMALLINT old_code(SQLSMALLINT concise, bool odbc2) {
    if (!odbc2) return concise;
    return concise == SQL_TYPE_DATE        ? SQL_DATE
           : concise == SQL_TYPE_TIME      ? SQL_TIME
           : concise == SQL_TYPE_TIMESTAMP ? SQL_TIMESTAMP
                                           : concise;
}

static void same(const char *type, const char *what, long long got, long long expected) {
    if (got != expected) fail_msg("%s: %s is %lld instead of %lld", type, what, got, expected);
}

static void same_text(const char *type, const char *what, const char *got, const char *expected) {
    if (strcmp(got, expected) != 0)
        fail_msg("%s: %s is '%s' instead of '%s'", type, what, got, expected);
}

static SQLSMALLINT nullable_of(size_t i) {
    return i == 3 ? SQL_NO_NULLS : SQL_NULLABLE;
}

/* ---- results */

typedef struct Field {
    SQLUSMALLINT id;
    const char *name;
    bool in_ird;
    long long value;
} Field;

static void check_numbers(Link *link, size_t i, bool odbc2) {
    const Fact *f = &facts[i];
    SQLSMALLINT code = old_code(f->concise, odbc2);
    bool number = f->radix != 0;
    const Field fields[] = {
        {SQL_DESC_CONCISE_TYPE, "concise type", true, code},
        {SQL_DESC_TYPE, "type", true, f->verbose},
        {SQL_DESC_DATETIME_INTERVAL_CODE, "subcode", true, f->subcode},
        {SQL_DESC_DATETIME_INTERVAL_PRECISION, "leading precision", true, f->leading},
        {SQL_DESC_LENGTH, "length", true, f->size},
        {SQL_DESC_OCTET_LENGTH, "octet length", true, f->octets},
        {SQL_DESC_DISPLAY_SIZE, "display size", true, f->display},
        {SQL_DESC_PRECISION, "precision", true, f->precision},
        {SQL_DESC_SCALE, "scale", true, f->scale},
        {SQL_DESC_NUM_PREC_RADIX, "radix", true, f->radix},
        {SQL_DESC_NULLABLE, "nullable", true, nullable_of(i)},
        {SQL_DESC_UNSIGNED, "unsigned", true, !number},
        {SQL_DESC_SEARCHABLE, "searchable", true, f->searchable},
        {SQL_DESC_CASE_SENSITIVE, "case-sensitive", true, f->case_sensitive},
        {SQL_DESC_FIXED_PREC_SCALE, "fixed precision", true, SQL_FALSE},
        {SQL_DESC_AUTO_UNIQUE_VALUE, "auto unique", true, SQL_FALSE},
        {SQL_DESC_UNNAMED, "unnamed", true, SQL_NAMED},
        {SQL_COLUMN_LENGTH, "version 2's length", false, f->octets},
        {SQL_COLUMN_PRECISION, "version 2's precision", false, f->size},
        {SQL_COLUMN_SCALE, "version 2's scale", false, f->digits < 0 ? 0 : f->digits},
        {SQL_COLUMN_NULLABLE, "version 2's nullable", false, nullable_of(i)},
        {SQL_COLUMN_TYPE, "version 2's type", false, code},
        {SQL_COLUMN_DISPLAY_SIZE, "version 2's display size", false, f->display},
        {SQL_COLUMN_UNSIGNED, "version 2's unsigned", false, !number},
        {SQL_COLUMN_MONEY, "version 2's money", false, SQL_FALSE},
        {SQL_COLUMN_AUTO_INCREMENT, "version 2's auto increment", false, SQL_FALSE},
        {SQL_COLUMN_CASE_SENSITIVE, "version 2's case-sensitive", false, f->case_sensitive},
        {SQL_COLUMN_SEARCHABLE, "version 2's searchable", false, f->searchable},
    };
    SQLHDESC ird;
    OK(odbc.SQLGetStmtAttr(link->stmt, SQL_ATTR_IMP_ROW_DESC, &ird, 0, NULL));
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        SQLLEN value = -99;
        OK(odbc.SQLColAttributeW(link->stmt, (SQLUSMALLINT)(i + 1), fields[k].id, NULL, 0, NULL,
                                 &value));
        same(f->declared, fields[k].name, value, fields[k].value);
        if (!fields[k].in_ird) continue;
        SQLLEN wide_value = 0;
        SQLINTEGER bytes = 0;
        OK(odbc.SQLGetDescFieldW(ird, (SQLSMALLINT)(i + 1), (SQLSMALLINT)fields[k].id, &wide_value,
                                 SQL_IS_INTEGER, &bytes));
        long long narrow = bytes == 2   ? (SQLSMALLINT)wide_value
                           : bytes == 4 ? (SQLINTEGER)wide_value
                                        : (long long)wide_value;
        same(f->declared, fields[k].name, narrow, fields[k].value);
    }
}

static void check_texts(Link *link, size_t i) {
    const Fact *f = &facts[i];
    char column[16];
    snprintf(column, sizeof column, "c%zu", i + 1);
    const struct {
        SQLUSMALLINT id;
        const char *name, *value;
    } fields[] = {
        {SQL_DESC_NAME, "name", column},
        {SQL_DESC_LABEL, "label", column},
        {SQL_DESC_BASE_COLUMN_NAME, "base column", column},
        {SQL_DESC_BASE_TABLE_NAME, "base table", "every"},
        {SQL_DESC_TABLE_NAME, "table", "every"},
        {SQL_DESC_SCHEMA_NAME, "schema", "default"},
        {SQL_DESC_CATALOG_NAME, "catalog", "memory"},
        {SQL_DESC_TYPE_NAME, "type name", f->name},
        {SQL_DESC_LOCAL_TYPE_NAME, "local type name", f->name},
        {SQL_DESC_LITERAL_PREFIX, "prefix", f->prefix},
        {SQL_DESC_LITERAL_SUFFIX, "suffix", f->suffix},
        {SQL_COLUMN_NAME, "version 2's name", column},
    };
    SQLHDESC ird;
    OK(odbc.SQLGetStmtAttr(link->stmt, SQL_ATTR_IMP_ROW_DESC, &ird, 0, NULL));
    for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
        char text[200] = "?";
        SQLSMALLINT length = -9;
        OK(odbc.SQLColAttribute(link->stmt, (SQLUSMALLINT)(i + 1), fields[k].id, text, sizeof text,
                                &length, NULL));
        same_text(f->declared, fields[k].name, text, fields[k].value);
        same(f->declared, fields[k].name, length, (long long)strlen(fields[k].value));
        if (fields[k].id == SQL_COLUMN_NAME) continue;
        SQLINTEGER bytes = -9;
        OK(odbc.SQLGetDescField(ird, (SQLSMALLINT)(i + 1), (SQLSMALLINT)fields[k].id, text,
                                sizeof text, &bytes));
        same_text(f->declared, fields[k].name, text, fields[k].value);
    }
}

static void check_described(Link *link, size_t i, bool odbc2) {
    const Fact *f = &facts[i];
    SQLSMALLINT type, digits, nullable, length, subcode, precision, scale, rec_type;
    SQLULEN size;
    SQLLEN octets;
    SQLHDESC ird;
    char name[64];
    OK(odbc.SQLDescribeCol(link->stmt, (SQLUSMALLINT)(i + 1), (SQLCHAR *)name, sizeof name, &length,
                           &type, &size, &digits, &nullable));
    same(f->declared, "described type", type, old_code(f->concise, odbc2));
    same(f->declared, "described size", (long long)size, f->size);
    same(f->declared, "described digits", digits, f->digits < 0 ? 0 : f->digits);
    same(f->declared, "described nullable", nullable, nullable_of(i));
    same(f->declared, "length of the name", length, (long long)strlen(name));
    OK(odbc.SQLGetStmtAttr(link->stmt, SQL_ATTR_IMP_ROW_DESC, &ird, 0, NULL));
    OK(odbc.SQLGetDescRec(ird, (SQLSMALLINT)(i + 1), (SQLCHAR *)name, sizeof name, NULL, &rec_type,
                          &subcode, &octets, &precision, &scale, &nullable));
    same(f->declared, "type of the record", rec_type, f->verbose);
    same(f->declared, "subcode of the record", subcode, f->subcode);
    same(f->declared, "octet length of the record", octets, f->octets);
    same(f->declared, "precision of the record", precision, f->precision);
    same(f->declared, "scale of the record", scale, f->scale);
    same(f->declared, "nullable of the record", nullable, nullable_of(i));
}

static void check_result(Link *link, bool odbc2) {
    SQLSMALLINT count;
    OK(odbc.SQLNumResultCols(link->stmt, &count));
    assert_int_equal(count, NFACTS);
    for (size_t i = 0; i < NFACTS; i++) {
        check_described(link, i, odbc2);
        check_numbers(link, i, odbc2);
        check_texts(link, i);
    }
}

static void results(void **state) {
    for (SQLULEN version = SQL_OV_ODBC2; version <= SQL_OV_ODBC3; version++) {
        Link link;
        link_open(&link, &odbc, version, connection, false);
        OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT * FROM every", SQL_NTS));
        check_result(&link, version == SQL_OV_ODBC2);
        OK(odbc.SQLExecute(link.stmt));
        check_result(&link, version == SQL_OV_ODBC2);
        link_close(&link);
    }
}

/* ANSI programs of version 3 take display sizes of texts for bytes: up to four to a character. */
static void narrow_display(void **state) {
    Link link;
    SQLLEN value;
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT c10, c4 FROM every", SQL_NTS));
    OK(odbc.SQLColAttribute(link.stmt, 1, SQL_DESC_DISPLAY_SIZE, NULL, 0, NULL, &value));
    assert_int_equal(value, 80);
    OK(odbc.SQLColAttribute(link.stmt, 2, SQL_DESC_DISPLAY_SIZE, NULL, 0, NULL, &value));
    assert_int_equal(value, 11);
    link_close(&link);
}

/* ---- SQLColumns */

static void number_is(Link *link, const char *type, SQLUSMALLINT column, const char *what,
                      long long expected, bool null) {
    char text[32];
    const char *got = text_of(link, column);
    snprintf(text, sizeof text, "%lld", expected);
    same_text(type, what, got, null ? "(null)" : text);
}

static void columns(void **state) {
    for (SQLULEN version = SQL_OV_ODBC2; version <= SQL_OV_ODBC3; version++) {
        Link link;
        link_open(&link, &odbc, version, connection, false);
        OK(odbc.SQLColumns(link.stmt, (SQLCHAR *)"memory", SQL_NTS, (SQLCHAR *)"default", SQL_NTS,
                           (SQLCHAR *)"every", SQL_NTS, NULL, 0));
        for (size_t i = 0; i < NFACTS; i++) {
            const Fact *f = &facts[i];
            bool text = f->verbose == SQL_WVARCHAR || f->verbose == SQL_WCHAR ||
                        f->verbose == SQL_VARBINARY;
            OK(odbc.SQLFetch(link.stmt));
            number_is(&link, f->declared, 5, "DATA_TYPE",
                      old_code(f->concise, version == SQL_OV_ODBC2), false);
            same_text(f->declared, "TYPE_NAME", text_of(&link, 6), f->name);
            number_is(&link, f->declared, 7, "COLUMN_SIZE", f->size, false);
            number_is(&link, f->declared, 8, "BUFFER_LENGTH", f->octets, false);
            number_is(&link, f->declared, 9, "DECIMAL_DIGITS", f->digits, f->digits < 0);
            number_is(&link, f->declared, 10, "NUM_PREC_RADIX", f->radix, f->radix == 0);
            number_is(&link, f->declared, 11, "NULLABLE", nullable_of(i), false);
            number_is(&link, f->declared, 14, "SQL_DATA_TYPE", f->verbose, false);
            number_is(&link, f->declared, 15, "SQL_DATETIME_SUB", f->subcode, f->subcode == 0);
            number_is(&link, f->declared, 16, "CHAR_OCTET_LENGTH", f->octets, !text);
            number_is(&link, f->declared, 17, "ORDINAL_POSITION", (long long)i + 1, false);
            same_text(f->declared, "IS_NULLABLE", text_of(&link, 18),
                      nullable_of(i) == SQL_NULLABLE ? "YES" : "NO");
        }
        assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
        link_close(&link);
    }
}

/* ---- SQLGetTypeInfo */

static bool is_listed(const Fact *f) {
    return strchr(f->name, '(') == NULL; /* nested types are no types of parameters */
}

static void type_info(void **state) {
    for (SQLULEN version = SQL_OV_ODBC2; version <= SQL_OV_ODBC3; version++) {
        Link link;
        link_open(&link, &odbc, version, connection, false);
        for (size_t i = 0; i < NFACTS; i++) {
            const Fact *f = &facts[i];
            bool found = false;
            SQLSMALLINT code = old_code(f->concise, version == SQL_OV_ODBC2);
            if (!is_listed(f)) continue;
            OK(odbc.SQLGetTypeInfo(link.stmt, code));
            while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) {
                number_is(&link, f->declared, 2, "DATA_TYPE", code, false);
                if (strcmp(text_of(&link, 1), f->name) != 0) continue;
                found = true;
                bool sized = strcmp(f->declared, f->name) == 0 && f->size != TEXTS;
                if (sized) number_is(&link, f->declared, 3, "COLUMN_SIZE", f->size, false);
                same_text(f->declared, "prefix", text_of(&link, 4),
                          f->prefix[0] ? f->prefix : "(null)");
                same_text(f->declared, "suffix", text_of(&link, 5),
                          f->suffix[0] ? f->suffix : "(null)");
                number_is(&link, f->declared, 7, "NULLABLE", SQL_NULLABLE, false);
                number_is(&link, f->declared, 8, "CASE_SENSITIVE", f->case_sensitive, false);
                number_is(&link, f->declared, 9, "SEARCHABLE", f->searchable, false);
                number_is(&link, f->declared, 10, "UNSIGNED", SQL_FALSE, f->radix == 0);
                number_is(&link, f->declared, 11, "FIXED_PREC_SCALE", SQL_FALSE, false);
                same_text(f->declared, "LOCAL_TYPE_NAME", text_of(&link, 13), f->name);
                number_is(&link, f->declared, 16, "SQL_DATA_TYPE", f->verbose, false);
                number_is(&link, f->declared, 17, "SQL_DATETIME_SUB", f->subcode, !f->subcode);
                number_is(&link, f->declared, 18, "NUM_PREC_RADIX", f->radix, f->radix == 0);
                number_is(&link, f->declared, 19, "INTERVAL_PRECISION", f->leading, !f->leading);
            }
            if (!found) fail_msg("SQLGetTypeInfo does not list %s", f->name);
            close_cursor(&link);
        }
        link_close(&link);
    }
}

/* What prefix and suffix promise: a literal of the type. */
static void literals(void **state) {
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    for (size_t i = 0; i < NFACTS; i++) {
        const Fact *f = &facts[i];
        char sql[200];
        SQLSMALLINT type, digits;
        SQLULEN size;
        if (!f->sample) continue;
        snprintf(sql, sizeof sql, "SELECT %s%s%s", f->prefix, f->sample, f->suffix);
        run_ok(&link, sql);
        OK(odbc.SQLDescribeCol(link.stmt, 1, NULL, 0, NULL, &type, &size, &digits, NULL));
        same(sql, "type", type, f->concise);
        same(sql, "size", (long long)size, f->size == TEXTS ? (long long)size : f->size);
        same(sql, "digits", digits, f->digits < 0 ? 0 : f->digits);
        close_cursor(&link);
    }
    link_close(&link);
}

/* ---- sizes of texts without a bound */

static void sizes(void **state) {
    Link link;
    char text[700];
    SQLULEN size;
    SQLLEN octets;
    snprintf(text, sizeof text, "%s;StringColumnLength=255;ComplexTypeColumnLength=1000",
             connection);
    link_open(&link, &odbc, SQL_OV_ODBC3, text, false);
    OK(odbc.SQLPrepare(
        link.stmt, (SQLCHAR *)"SELECT c11, c10, c13, c24, c25, c11 || c11 FROM every", SQL_NTS));
    static const SQLULEN expected[] = {255, 20, 255, 1000, 1000, 255};
    for (SQLUSMALLINT i = 1; i <= 6; i++) {
        OK(odbc.SQLDescribeCol(link.stmt, i, NULL, 0, NULL, NULL, &size, NULL, NULL));
        assert_int_equal(size, expected[i - 1]);
        OK(odbc.SQLColAttribute(link.stmt, i, SQL_DESC_OCTET_LENGTH, NULL, 0, NULL, &octets));
        assert_int_equal(octets, i == 3 ? expected[i - 1] : expected[i - 1] * 2);
    }
    OK(odbc.SQLColumns(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"every", SQL_NTS, (SQLCHAR *)"c11",
                       SQL_NTS));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 7), "255");
    close_cursor(&link);
    run_ok(&link, "SELECT rpad('x', 1000, 'x')"); /* longer than said: it comes whole */
    OK(odbc.SQLFetch(link.stmt));
    assert_int_equal(strlen(text_of(&link, 1)), 1000);
    link_close(&link);
}

/* ---- programs that know no wide types */

static void narrow(void **state) {
    static const struct {
        const char *sql;
        SQLSMALLINT type;
        SQLULEN size;
    } columns[] = {{"SELECT 'ab\xC3\xA4'", SQL_VARCHAR, 3},
                   {"SELECT CAST('a' AS char(5))", SQL_CHAR, 5},
                   {"SELECT note FROM narrow_texts", SQL_LONGVARCHAR, 65535},
                   {"SELECT ARRAY[1]", SQL_VARCHAR, 65535},
                   {"SELECT X'00'", SQL_VARBINARY, 4000},
                   {"SELECT 1", SQL_INTEGER, 10}};
    Link link;
    char text[700], value[20];
    SQLSMALLINT type;
    SQLULEN size;
    SQLLEN length;
    snprintf(text, sizeof text, "%s;WideText=0", connection);
    link_open(&link, &odbc, SQL_OV_ODBC3, text, false);
    run_ok(&link, "CREATE TABLE narrow_texts (note text)");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        run_ok(&link, columns[i].sql);
        OK(odbc.SQLDescribeCol(link.stmt, 1, NULL, 0, NULL, &type, &size, NULL, NULL));
        assert_int_equal(type, columns[i].type);
        assert_int_equal(size, columns[i].size);
        if (i == 0) { /* its default C type is narrow, too */
            OK(odbc.SQLFetch(link.stmt));
            OK(odbc.SQLGetData(link.stmt, 1, SQL_C_DEFAULT, value, sizeof value, &length));
            assert_string_equal(value, "ab\xC3\xA4");
        }
        close_cursor(&link);
    }
    OK(odbc.SQLColumns(link.stmt, NULL, 0, NULL, 0, (SQLCHAR *)"narrow_texts", SQL_NTS, NULL, 0));
    OK(odbc.SQLDescribeCol(link.stmt, 3, NULL, 0, NULL, &type, NULL, NULL, NULL));
    assert_int_equal(type, SQL_VARCHAR);
    OK(odbc.SQLFetch(link.stmt));
    number_is(&link, "text", 5, "DATA_TYPE", SQL_LONGVARCHAR, false);
    number_is(&link, "text", 16, "CHAR_OCTET_LENGTH", 4 * 65535, false);
    close_cursor(&link);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_VARCHAR));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "varchar");
    close_cursor(&link);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_WVARCHAR));
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    close_cursor(&link);
    run_ok(&link, "DROP TABLE narrow_texts");
    link_close(&link);
}

/* ---- labels and base names */

static void names(void **state) {
    Link link;
    static const struct {
        const char *label, *base, *table;
        SQLLEN unnamed;
    } expected[] = {{"Gr\xC3\xB6\xC3\x9F\x65", "c4", "every", SQL_NAMED},
                    {"c5", "c5", "every", SQL_NAMED},
                    {"twice", "", "", SQL_NAMED}};
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    OK(odbc.SQLPrepare(link.stmt,
                       (SQLCHAR *)"SELECT c4 AS \"Gr\xC3\xB6\xC3\x9F\x65\", t.c5, c4 * 2 AS twice "
                                  "FROM every AS t",
                       SQL_NTS));
    for (SQLUSMALLINT i = 1; i <= 3; i++) {
        char text[64];
        SQLLEN number;
        OK(odbc.SQLColAttribute(link.stmt, i, SQL_DESC_LABEL, text, sizeof text, NULL, NULL));
        assert_string_equal(text, expected[i - 1].label);
        OK(odbc.SQLColAttribute(link.stmt, i, SQL_DESC_BASE_COLUMN_NAME, text, sizeof text, NULL,
                                NULL));
        assert_string_equal(text, expected[i - 1].base);
        OK(odbc.SQLColAttribute(link.stmt, i, SQL_DESC_BASE_TABLE_NAME, text, sizeof text, NULL,
                                NULL));
        assert_string_equal(text, expected[i - 1].table);
        OK(odbc.SQLColAttribute(link.stmt, i, SQL_DESC_UNNAMED, NULL, 0, NULL, &number));
        assert_int_equal(number, expected[i - 1].unnamed);
    }
    SQLLEN updatable;
    OK(odbc.SQLColAttribute(link.stmt, 3, SQL_DESC_UPDATABLE, NULL, 0, NULL, &updatable));
    assert_int_equal(updatable, SQL_ATTR_READONLY);
    link_close(&link);
}

/* ---- SQLDescribeParam */

static void parameters(void **state) {
    Link link;
    static const struct {
        const char *sql;
        SQLSMALLINT type;
        SQLULEN size; /* of parameter 1 */
        SQLSMALLINT digits;
    } expected[] = {
        {"SELECT 1 FROM every WHERE c4 = ?", SQL_INTEGER, 10, 0},
        {"SELECT 1 FROM every WHERE ? < c5", SQL_BIGINT, 19, 0},
        {"SELECT 1 FROM every WHERE c8 <> ?", SQL_DECIMAL, 10, 2},
        /* longer values may be compared with: the length is not the column's */
        {"SELECT 1 FROM every WHERE c10 = ?", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT 1 FROM every WHERE c14 >= ?", SQL_TYPE_DATE, 10, 0},
        {"SELECT 1 FROM every WHERE c18 BETWEEN ? AND ?", SQL_TYPE_TIMESTAMP, 26, 6},
        {"SELECT 1 FROM every WHERE c16 = ?", SQL_TYPE_TIME, 12, 3},
        {"SELECT 1 FROM every WHERE c23 = ?", SQL_GUID, 36, 0},
        {"SELECT 1 FROM every WHERE c13 = ?", SQL_VARBINARY, TEXTS, 0},
        {"SELECT 1 FROM every WHERE c1 = ?", SQL_BIT, 1, 0},
        {"SELECT 1 FROM every WHERE c22 > ?", SQL_INTERVAL_DAY_TO_SECOND, 25, 6},
        {"SELECT 1 FROM every WHERE c4 IN (1, ?, 3)", SQL_INTEGER, 10, 0},
        {"SELECT 1 FROM every WHERE ? IN (c4, 2)", SQL_INTEGER, 10, 0},
        {"SELECT 1 FROM every WHERE c4 IN (SELECT c4 FROM every WHERE c14 = ?)", SQL_TYPE_DATE, 10,
         0},
        {"SELECT 1 FROM every WHERE c10 LIKE ?", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT 1 FROM every WHERE c4 + ? > 0", SQL_INTEGER, 10, 0},
        {"SELECT ? + c7 FROM every", SQL_DOUBLE, 15, 0},
        {"SELECT c10 || ? FROM every", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT coalesce(?, c14) FROM every", SQL_TYPE_DATE, 10, 0},
        {"SELECT CASE WHEN c4 > 0 THEN ? ELSE c8 END FROM every", SQL_DECIMAL, 10, 2},
        {"SELECT CASE c4 WHEN ? THEN 'a' END FROM every", SQL_INTEGER, 10, 0},
        {"SELECT CASE WHEN ? THEN 'a' END", SQL_BIT, 1, 0},
        {"SELECT 1 FROM every WHERE ?", SQL_BIT, 1, 0},
        {"SELECT 1 FROM every WHERE c1 AND ?", SQL_BIT, 1, 0},
        {"SELECT nullif(c5, ?) FROM every", SQL_BIGINT, 19, 0},
        {"SELECT greatest(?, c14) FROM every", SQL_TYPE_DATE, 10, 0},
        {"SELECT CAST(? AS decimal(12,3))", SQL_DECIMAL, 12, 3},
        {"SELECT upper(?)", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT substr(c10, ?) FROM every", SQL_BIGINT, 19, 0},
        {"SELECT date_add('day', ?, c14) FROM every", SQL_BIGINT, 19, 0},
        {"SELECT c4 FROM every ORDER BY 1 LIMIT ?", SQL_BIGINT, 19, 0},
        {"SELECT c4 FROM every ORDER BY 1 OFFSET ?", SQL_BIGINT, 19, 0},
        {"SELECT c4 FROM every GROUP BY c4 HAVING sum(c8) > ?", SQL_DECIMAL, 38, 2},
        {"SELECT c4 FROM every UNION ALL SELECT ?", SQL_INTEGER, 10, 0},
        {"SELECT 1 FROM every a JOIN every b ON a.c4 = b.c4 AND b.c14 = ?", SQL_TYPE_DATE, 10, 0},
        {"INSERT INTO every (c4, c8) VALUES (?, 1)", SQL_INTEGER, 10, 0},
        {"INSERT INTO every (c8, c4) VALUES (?, 1)", SQL_DECIMAL, 10, 2},
        {"INSERT INTO every (c14, c4) SELECT ?, 1", SQL_TYPE_DATE, 10, 0},
        {"INSERT INTO every (c10, c4) VALUES (?, 1)", SQL_WVARCHAR, 20, 0},
        {"UPDATE every SET c10 = ?", SQL_WVARCHAR, 20, 0},
        {"UPDATE every SET c8 = ?", SQL_DECIMAL, 10, 2},
        {"SELECT ?", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT 1 FROM every WHERE ? IS NULL", SQL_WVARCHAR, TEXTS, 0},
        {"SELECT 1 FROM every WHERE c4 IS NOT DISTINCT FROM ?", SQL_INTEGER, 10, 0},
    };
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    char failed[4000] = "";
    size_t n = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        SQLSMALLINT type = 0, digits = -9, nullable = -9;
        SQLULEN size = 0;
        SQLRETURN result =
            odbc.SQLPrepare(link.stmt, (SQLCHAR *)(uintptr_t)expected[i].sql, SQL_NTS);
        if (result == SQL_SUCCESS)
            result = odbc.SQLDescribeParam(link.stmt, 1, &type, &size, &digits, &nullable);
        if (result != SQL_SUCCESS)
            n += (size_t)snprintf(failed + n, sizeof failed - n, "%s: %s %s\n", expected[i].sql,
                                  diag_of(&odbc, SQL_HANDLE_STMT, link.stmt), diag_message());
        else if (type != expected[i].type || size != expected[i].size ||
                 digits != expected[i].digits)
            n += (size_t)snprintf(failed + n, sizeof failed - n, "%s: %d(%lu,%d)\n",
                                  expected[i].sql, type, (unsigned long)size, digits);
        if (n >= sizeof failed) break;
    }
    if (failed[0]) fail_msg("\n%s", failed);
    /* the inferred type does not change by what is bound */
    SQLINTEGER number = 5;
    SQLSMALLINT type;
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT 1 FROM every WHERE c14 = ?", SQL_NTS));
    OK(odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &number,
                             0, NULL));
    OK(odbc.SQLDescribeParam(link.stmt, 1, &type, NULL, NULL, NULL));
    assert_int_equal(type, SQL_TYPE_DATE);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT c4 FROM every UNION ALL SELECT ?", SQL_NTS));
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "5");
    link_close(&link);
    link_open(&link, &odbc, SQL_OV_ODBC2, connection, false);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT 1 FROM every WHERE c14 = ?", SQL_NTS));
    OK(odbc.SQLDescribeParam(link.stmt, 1, &type, NULL, NULL, NULL));
    assert_int_equal(type, SQL_DATE);
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results), cmocka_unit_test(narrow_display), cmocka_unit_test(narrow),
        cmocka_unit_test(columns), cmocka_unit_test(type_info),      cmocka_unit_test(literals),
        cmocka_unit_test(sizes),   cmocka_unit_test(names),          cmocka_unit_test(parameters),
    };
    return cmocka_run_group_tests_name("metadata", tests, load, unload);
}
