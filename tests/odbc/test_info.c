/*
 * test_info.c - SQLGetInfo is true: for each bit that is claimed a statement runs, and each statement that runs
 * has its bit claimed. Every information type of ODBC 3.8 is answered, in the form that the specification says.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

static Odbc odbc;
static Link link3;
static char config[] = "/tmp/tributary_info_XXXXXX";
static char connection[500];

static int load(void **state) {
    static const char text[] =
        "{ \"catalogs\": { \"memory\": { \"type\": \"memory\", \"script\": [\n"
        "\"CREATE TABLE memory.default.t (a integer, b varchar(20), d date)\",\n"
        "\"INSERT INTO memory.default.t VALUES (1, 'x', DATE '2020-02-29'), (2, NULL, NULL)\",\n"
        "\"CREATE TABLE memory.default.u (a integer, c varchar(20))\",\n"
        "\"INSERT INTO memory.default.u VALUES (1, 'y'), (3, 'z')\"] } } }\n";
    file_new(config, text);
    connection_string(connection, sizeof connection, config, CONNECTOR_PATH, "memory");
    odbc_load(&odbc, REAL_DRIVER);
    link_open(&link3, &odbc, SQL_OV_ODBC3_80, connection, false);
    return 0;
}

static int unload(void **state) {
    link_close(&link3);
    unlink(config);
    return 0;
}

static SQLUINTEGER bits_of(SQLUSMALLINT type) {
    SQLUINTEGER bits = 0;
    OK(odbc.SQLGetInfo(link3.dbc, type, &bits, sizeof bits, NULL));
    return bits;
}

/* Runs a statement to its end. */
static bool works(const char *sql) {
    SQLRETURN result = run(&link3, sql);
    bool query = SQL_SUCCEEDED(result);
    SQLSMALLINT columns = 0;
    if (result == SQL_NO_DATA) return true; /* a change that found no row */
    if (query) OK(odbc.SQLNumResultCols(link3.stmt, &columns));
    while (columns && (result = odbc.SQLFetch(link3.stmt)) != SQL_NO_DATA)
        if (!SQL_SUCCEEDED(result)) query = false, columns = 0;
    OK(odbc.SQLFreeStmt(link3.stmt, SQL_CLOSE));
    return query;
}

typedef struct BitRow {
    SQLUSMALLINT type;
    SQLUINTEGER bit;
    const char *
        sql; /* several, separated by ';': all of them; NULL: nothing that could be run claims it */
} BitRow;

#define FN(group, bit, text) \
    { SQL_##group##_FUNCTIONS, bit, "SELECT {fn " text "}" }
#define STRING(bit, text)   FN(STRING, SQL_FN_STR_##bit, text)
#define NUMERIC(bit, text)  FN(NUMERIC, SQL_FN_NUM_##bit, text)
#define TIMEDATE(bit, text) FN(TIMEDATE, SQL_FN_TD_##bit, text)
#define SYSTEM(bit, text)   FN(SYSTEM, SQL_FN_SYS_##bit, text)
#define DAY                 "{d '2024-02-29'}"
#define MOMENT              "{ts '2024-02-29 12:34:56'}"
#define ADD(unit)                                                                  \
    {SQL_TIMEDATE_ADD_INTERVALS, SQL_FN_TSI_##unit,                                \
     "SELECT {fn TIMESTAMPADD(SQL_TSI_" #unit ", 3, " MOMENT ")}"},                \
    {                                                                              \
        SQL_TIMEDATE_DIFF_INTERVALS, SQL_FN_TSI_##unit,                            \
            "SELECT {fn TIMESTAMPDIFF(SQL_TSI_" #unit ", " MOMENT ", " MOMENT ")}" \
    }
#define SELECT_FROM_T(where) "SELECT a FROM t WHERE " where
#define JOINED(join)         "SELECT * FROM t " join

static const BitRow bit_rows[] = {
    STRING(CONCAT, "CONCAT('a', 'b')"),
    STRING(INSERT, "INSERT('abc', 2, 1, 'xyz')"),
    STRING(LEFT, "LEFT('abc', 2)"),
    STRING(LTRIM, "LTRIM(' a')"),
    STRING(LENGTH, "LENGTH('abc ')"),
    STRING(LOCATE, "LOCATE('b', 'abc', 1)"),
    STRING(LOCATE_2, "LOCATE('b', 'abc')"),
    STRING(LCASE, "LCASE('A')"),
    STRING(REPEAT, "REPEAT('ab', 3)"),
    STRING(REPLACE, "REPLACE('abc', 'b', 'x')"),
    STRING(RIGHT, "RIGHT('abc', 2)"),
    STRING(RTRIM, "RTRIM('a ')"),
    STRING(SUBSTRING, "SUBSTRING('abc', 2, 1)"),
    STRING(UCASE, "UCASE('a')"),
    STRING(ASCII, "ASCII('a')"),
    STRING(CHAR, "CHAR(65)"),
    STRING(DIFFERENCE, "DIFFERENCE('a', 'b')"),
    STRING(SOUNDEX, "SOUNDEX('Robert')"),
    STRING(SPACE, "SPACE(3)"),
    STRING(BIT_LENGTH, "BIT_LENGTH('abc')"),
    STRING(CHAR_LENGTH, "CHAR_LENGTH('abc')"),
    STRING(CHARACTER_LENGTH, "CHARACTER_LENGTH('abc')"),
    STRING(OCTET_LENGTH, "OCTET_LENGTH('abc')"),
    STRING(POSITION, "POSITION('b' IN 'abc')"),

    NUMERIC(ABS, "ABS(-1)"),
    NUMERIC(ACOS, "ACOS(0.5)"),
    NUMERIC(ASIN, "ASIN(0.5)"),
    NUMERIC(ATAN, "ATAN(0.5)"),
    NUMERIC(ATAN2, "ATAN2(0.5, 1)"),
    NUMERIC(CEILING, "CEILING(1.5)"),
    NUMERIC(COS, "COS(1)"),
    NUMERIC(COT, "COT(1)"),
    NUMERIC(EXP, "EXP(1)"),
    NUMERIC(FLOOR, "FLOOR(1.5)"),
    NUMERIC(LOG, "LOG(2)"),
    NUMERIC(MOD, "MOD(5, 3)"),
    NUMERIC(SIGN, "SIGN(-2)"),
    NUMERIC(SIN, "SIN(1)"),
    NUMERIC(SQRT, "SQRT(4)"),
    NUMERIC(TAN, "TAN(1)"),
    NUMERIC(PI, "PI()"),
    NUMERIC(RAND, "RAND()"),
    NUMERIC(DEGREES, "DEGREES(1)"),
    NUMERIC(LOG10, "LOG10(2)"),
    NUMERIC(POWER, "POWER(2, 3)"),
    NUMERIC(RADIANS, "RADIANS(180)"),
    NUMERIC(ROUND, "ROUND(2.345, 2)"),
    NUMERIC(TRUNCATE, "TRUNCATE(2.345, 2)"),

    TIMEDATE(NOW, "NOW()"),
    TIMEDATE(CURDATE, "CURDATE()"),
    TIMEDATE(CURTIME, "CURTIME()"),
    TIMEDATE(DAYOFMONTH, "DAYOFMONTH(" DAY ")"),
    TIMEDATE(DAYOFWEEK, "DAYOFWEEK(" DAY ")"),
    TIMEDATE(DAYOFYEAR, "DAYOFYEAR(" DAY ")"),
    TIMEDATE(MONTH, "MONTH(" DAY ")"),
    TIMEDATE(QUARTER, "QUARTER(" DAY ")"),
    TIMEDATE(WEEK, "WEEK(" DAY ")"),
    TIMEDATE(YEAR, "YEAR(" DAY ")"),
    TIMEDATE(HOUR, "HOUR(" MOMENT ")"),
    TIMEDATE(MINUTE, "MINUTE(" MOMENT ")"),
    TIMEDATE(SECOND, "SECOND(" MOMENT ")"),
    TIMEDATE(TIMESTAMPADD, "TIMESTAMPADD(SQL_TSI_DAY, 1, " MOMENT ")"),
    TIMEDATE(TIMESTAMPDIFF, "TIMESTAMPDIFF(SQL_TSI_DAY, " MOMENT ", " MOMENT ")"),
    TIMEDATE(DAYNAME, "DAYNAME(" DAY ")"),
    TIMEDATE(MONTHNAME, "MONTHNAME(" DAY ")"),
    TIMEDATE(CURRENT_DATE, "CURRENT_DATE()"),
    TIMEDATE(CURRENT_TIME, "CURRENT_TIME(3)"),
    TIMEDATE(CURRENT_TIMESTAMP, "CURRENT_TIMESTAMP(3)"),
    TIMEDATE(EXTRACT, "EXTRACT(YEAR FROM " DAY ")"),
    ADD(SECOND),
    ADD(MINUTE),
    ADD(HOUR),
    ADD(DAY),
    ADD(WEEK),
    ADD(MONTH),
    ADD(QUARTER),
    ADD(YEAR),
    ADD(FRAC_SECOND),

    SYSTEM(USERNAME, "USER()"),
    SYSTEM(DBNAME, "DATABASE()"),
    SYSTEM(IFNULL, "IFNULL(NULL, 1)"),

    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_AVG, "SELECT AVG(a) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_COUNT, "SELECT COUNT(*), COUNT(b) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_MAX, "SELECT MAX(b) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_MIN, "SELECT MIN(d) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_SUM, "SELECT SUM(a) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_DISTINCT, "SELECT COUNT(DISTINCT b), SUM(DISTINCT a) FROM t"},
    {SQL_AGGREGATE_FUNCTIONS, SQL_AF_ALL, "SELECT COUNT(ALL b), SUM(ALL a) FROM t"},

    {SQL_CONVERT_FUNCTIONS, SQL_FN_CVT_CONVERT, "SELECT {fn CONVERT('1', SQL_INTEGER)}"},
    {SQL_CONVERT_FUNCTIONS, SQL_FN_CVT_CAST,
     "SELECT CAST('1' AS integer), {fn CAST('1' AS integer)}"},

    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_CONVERT, "SELECT CONVERT('a' USING utf8)"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_LOWER, "SELECT LOWER('A')"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_UPPER, "SELECT UPPER('a')"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_SUBSTRING, "SELECT SUBSTRING('abc' FROM 2 FOR 1)"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_TRANSLATE, "SELECT TRANSLATE('abc' USING utf8)"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_TRIM_BOTH, "SELECT TRIM(BOTH 'x' FROM 'xax')"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_TRIM_LEADING, "SELECT TRIM(LEADING FROM ' a')"},
    {SQL_SQL92_STRING_FUNCTIONS, SQL_SSF_TRIM_TRAILING, "SELECT TRIM(TRAILING FROM 'a ')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_BIT_LENGTH, "SELECT BIT_LENGTH('abc')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_CHAR_LENGTH, "SELECT CHAR_LENGTH('abc')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_CHARACTER_LENGTH,
     "SELECT CHARACTER_LENGTH('abc')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_EXTRACT,
     "SELECT EXTRACT(DAY FROM DATE '2024-01-01')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_OCTET_LENGTH, "SELECT OCTET_LENGTH('abc')"},
    {SQL_SQL92_NUMERIC_VALUE_FUNCTIONS, SQL_SNVF_POSITION, "SELECT POSITION('b' IN 'abc')"},
    {SQL_SQL92_DATETIME_FUNCTIONS, SQL_SDF_CURRENT_DATE, "SELECT CURRENT_DATE"},
    {SQL_SQL92_DATETIME_FUNCTIONS, SQL_SDF_CURRENT_TIME, "SELECT CURRENT_TIME"},
    {SQL_SQL92_DATETIME_FUNCTIONS, SQL_SDF_CURRENT_TIMESTAMP, "SELECT CURRENT_TIMESTAMP"},

    {SQL_SUBQUERIES, SQL_SQ_COMPARISON, SELECT_FROM_T("a = (SELECT MIN(a) FROM u)")},
    {SQL_SUBQUERIES, SQL_SQ_EXISTS, SELECT_FROM_T("EXISTS (SELECT 1 FROM u)")},
    {SQL_SUBQUERIES, SQL_SQ_IN, SELECT_FROM_T("a IN (SELECT a FROM u)")},
    {SQL_SUBQUERIES, SQL_SQ_QUANTIFIED,
     SELECT_FROM_T("a > ALL (SELECT a FROM u)") ";" SELECT_FROM_T("a < ANY (SELECT a FROM u)")},
    {SQL_SUBQUERIES, SQL_SQ_CORRELATED_SUBQUERIES,
     SELECT_FROM_T("EXISTS (SELECT 1 FROM u WHERE u.a = t.a)") ";" SELECT_FROM_T(
         "a >= (SELECT MIN(a) FROM u WHERE u.a = t.a)") ";" SELECT_FROM_T("a IN (SELECT a FROM u "
                                                                          "WHERE u.c > t.b)")},
    {SQL_UNION, SQL_U_UNION, "SELECT a FROM t UNION SELECT a FROM u"},
    {SQL_UNION, SQL_U_UNION_ALL, "SELECT a FROM t UNION ALL SELECT a FROM u"},

    {SQL_SQL92_PREDICATES, SQL_SP_EXISTS, SELECT_FROM_T("EXISTS (SELECT 1 FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_ISNOTNULL, SELECT_FROM_T("b IS NOT NULL")},
    {SQL_SQL92_PREDICATES, SQL_SP_ISNULL, SELECT_FROM_T("b IS NULL")},
    {SQL_SQL92_PREDICATES, SQL_SP_MATCH_FULL,
     SELECT_FROM_T("(a, b) MATCH FULL (SELECT a, c FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_MATCH_PARTIAL,
     SELECT_FROM_T("(a, b) MATCH PARTIAL (SELECT a, c FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_MATCH_UNIQUE_FULL,
     SELECT_FROM_T("(a, b) MATCH UNIQUE FULL (SELECT a, c FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_MATCH_UNIQUE_PARTIAL,
     SELECT_FROM_T("(a, b) MATCH UNIQUE PARTIAL (SELECT a, c FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_OVERLAPS,
     SELECT_FROM_T("(d, d) OVERLAPS (DATE '2020-01-01', DATE '2021-01-01')")},
    {SQL_SQL92_PREDICATES, SQL_SP_UNIQUE, SELECT_FROM_T("UNIQUE (SELECT a FROM u)")},
    {SQL_SQL92_PREDICATES, SQL_SP_LIKE, SELECT_FROM_T("b LIKE 'x!%%' ESCAPE '!'")},
    {SQL_SQL92_PREDICATES, SQL_SP_IN, SELECT_FROM_T("a IN (1, 2)")},
    {SQL_SQL92_PREDICATES, SQL_SP_BETWEEN, SELECT_FROM_T("a BETWEEN 1 AND 2")},
    {SQL_SQL92_PREDICATES, SQL_SP_COMPARISON, SELECT_FROM_T("a <> 1 AND a <= 2")},
    {SQL_SQL92_PREDICATES, SQL_SP_QUANTIFIED_COMPARISON,
     SELECT_FROM_T("a = SOME (SELECT a FROM u)")},

    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_CORRESPONDING_CLAUSE,
     "SELECT a FROM t UNION CORRESPONDING SELECT a FROM u"},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_CROSS_JOIN, JOINED("CROSS JOIN u")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_EXCEPT_JOIN,
     "SELECT a FROM t EXCEPT SELECT a FROM u"},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_FULL_OUTER_JOIN,
     JOINED("FULL OUTER JOIN u ON t.a = u.a")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_INNER_JOIN, JOINED("INNER JOIN u ON t.a = u.a")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_INTERSECT_JOIN,
     "SELECT a FROM t INTERSECT SELECT a FROM u"},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_LEFT_OUTER_JOIN,
     JOINED("LEFT OUTER JOIN u ON t.a = u.a")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_NATURAL_JOIN, JOINED("NATURAL JOIN u")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_RIGHT_OUTER_JOIN,
     JOINED("RIGHT OUTER JOIN u ON t.a = u.a")},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, SQL_SRJO_UNION_JOIN, JOINED("UNION JOIN u")},
    {SQL_OJ_CAPABILITIES, SQL_OJ_LEFT, "SELECT * FROM {oj t LEFT OUTER JOIN u ON t.a = u.a}"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_RIGHT, "SELECT * FROM {oj t RIGHT OUTER JOIN u ON t.a = u.a}"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_FULL, "SELECT * FROM {oj t FULL OUTER JOIN u ON t.a = u.a}"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_NESTED,
     "SELECT * FROM {oj t LEFT JOIN (u LEFT JOIN t AS v ON u.a = v.a) ON t.a = u.a}"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_NOT_ORDERED, "SELECT * FROM {oj t LEFT JOIN u ON u.a = t.a}"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_INNER,
     "SELECT * FROM {oj t LEFT JOIN u ON t.a = u.a} INNER JOIN t AS v ON v.a = u.a"},
    {SQL_OJ_CAPABILITIES, SQL_OJ_ALL_COMPARISON_OPS,
     JOINED("LEFT JOIN u ON t.a < u.a") ";" JOINED("LEFT JOIN u ON t.a <> u.a") ";" JOINED(
         "LEFT JOIN u ON t.a >= u.a")},

    {SQL_SQL92_VALUE_EXPRESSIONS, SQL_SVE_CASE,
     "SELECT CASE a WHEN 1 THEN 'x' ELSE 'y' END, CASE WHEN a > 1 THEN 1 END FROM t"},
    {SQL_SQL92_VALUE_EXPRESSIONS, SQL_SVE_CAST, "SELECT CAST(a AS varchar) FROM t"},
    {SQL_SQL92_VALUE_EXPRESSIONS, SQL_SVE_COALESCE, "SELECT COALESCE(b, 'none') FROM t"},
    {SQL_SQL92_VALUE_EXPRESSIONS, SQL_SVE_NULLIF, "SELECT NULLIF(a, 1) FROM t"},
    {SQL_SQL92_ROW_VALUE_CONSTRUCTOR, SQL_SRVC_VALUE_EXPRESSION,
     SELECT_FROM_T("(a, b) = (1, 'x')")},
    {SQL_SQL92_ROW_VALUE_CONSTRUCTOR, SQL_SRVC_NULL, SELECT_FROM_T("(a, b) = (1, NULL)")},
    {SQL_SQL92_ROW_VALUE_CONSTRUCTOR, SQL_SRVC_DEFAULT, SELECT_FROM_T("(a, b) = (1, DEFAULT)")},
    {SQL_SQL92_ROW_VALUE_CONSTRUCTOR, SQL_SRVC_ROW_SUBQUERY,
     SELECT_FROM_T("(a, b) = (SELECT a, c FROM u WHERE a = 1)")},

#define INTERVAL(bit, text) \
    { SQL_DATETIME_LITERALS, SQL_DL_SQL92_##bit, "SELECT " text }
    INTERVAL(DATE, "DATE '2024-02-29'"),
    INTERVAL(TIME, "TIME '12:34:56'"),
    INTERVAL(TIMESTAMP, "TIMESTAMP '2024-02-29 12:34:56'"),
    INTERVAL(INTERVAL_YEAR, "INTERVAL '1' YEAR"),
    INTERVAL(INTERVAL_MONTH, "INTERVAL '1' MONTH"),
    INTERVAL(INTERVAL_DAY, "INTERVAL '1' DAY"),
    INTERVAL(INTERVAL_HOUR, "INTERVAL '1' HOUR"),
    INTERVAL(INTERVAL_MINUTE, "INTERVAL '1' MINUTE"),
    INTERVAL(INTERVAL_SECOND, "INTERVAL '1.5' SECOND"),
    INTERVAL(INTERVAL_YEAR_TO_MONTH, "INTERVAL '1-2' YEAR TO MONTH"),
    INTERVAL(INTERVAL_DAY_TO_HOUR, "INTERVAL '1 2' DAY TO HOUR"),
    INTERVAL(INTERVAL_DAY_TO_MINUTE, "INTERVAL '1 2:03' DAY TO MINUTE"),
    INTERVAL(INTERVAL_DAY_TO_SECOND, "INTERVAL '1 02:03:04.5' DAY TO SECOND"),
    INTERVAL(INTERVAL_HOUR_TO_MINUTE, "INTERVAL '2:03' HOUR TO MINUTE"),
    INTERVAL(INTERVAL_HOUR_TO_SECOND, "INTERVAL '2:03:04' HOUR TO SECOND"),
    INTERVAL(INTERVAL_MINUTE_TO_SECOND, "INTERVAL '3:04' MINUTE TO SECOND"),

    {SQL_CATALOG_USAGE, SQL_CU_DML_STATEMENTS, "SELECT a FROM memory.\"default\".t"},
    {SQL_CATALOG_USAGE, SQL_CU_PROCEDURE_INVOCATION, "{call memory.\"default\".p()}"},
    {SQL_CATALOG_USAGE, SQL_CU_TABLE_DEFINITION,
     "CREATE TABLE memory.\"default\".n (a integer);DROP TABLE memory.\"default\".n"},
    {SQL_CATALOG_USAGE, SQL_CU_INDEX_DEFINITION,
     "CREATE INDEX i ON memory.\"default\".t (a);DROP INDEX i ON memory.\"default\".t"},
    {SQL_CATALOG_USAGE, SQL_CU_PRIVILEGE_DEFINITION, "GRANT SELECT ON memory.\"default\".t TO x"},
    {SQL_SCHEMA_USAGE, SQL_SU_DML_STATEMENTS, "SELECT a FROM \"default\".t"},
    {SQL_SCHEMA_USAGE, SQL_SU_PROCEDURE_INVOCATION, "{call \"default\".p()}"},
    {SQL_SCHEMA_USAGE, SQL_SU_TABLE_DEFINITION,
     "CREATE TABLE \"default\".n (a integer);DROP TABLE \"default\".n"},
    {SQL_SCHEMA_USAGE, SQL_SU_INDEX_DEFINITION,
     "CREATE INDEX i ON \"default\".t (a);DROP INDEX i ON \"default\".t"},
    {SQL_SCHEMA_USAGE, SQL_SU_PRIVILEGE_DEFINITION, "GRANT SELECT ON \"default\".t TO x"},
    {SQL_DDL_INDEX, SQL_DI_CREATE_INDEX, "CREATE INDEX i ON t (a)"},
    {SQL_DDL_INDEX, SQL_DI_DROP_INDEX, "DROP INDEX i ON t"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN, "ALTER TABLE u ADD COLUMN z integer"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN, "ALTER TABLE u DROP COLUMN z"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN_SINGLE,
     "ALTER TABLE u ADD COLUMN z integer;ALTER TABLE u DROP COLUMN z"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN_DEFAULT,
     "ALTER TABLE u ADD COLUMN z integer DEFAULT 1;ALTER TABLE u DROP COLUMN z"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN_CASCADE,
     "ALTER TABLE u ADD COLUMN z integer;ALTER TABLE u DROP COLUMN z CASCADE"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN_RESTRICT,
     "ALTER TABLE u ADD COLUMN z integer;ALTER TABLE u DROP COLUMN z RESTRICT"},
    {SQL_INSERT_STATEMENT, SQL_IS_INSERT_LITERALS, "INSERT INTO u VALUES (9, 'i')"},
    {SQL_INSERT_STATEMENT, SQL_IS_INSERT_SEARCHED, "INSERT INTO u SELECT a, b FROM t WHERE a > 5"},
    {SQL_CREATE_TABLE, SQL_CT_CREATE_TABLE, "CREATE TABLE n (a integer, b varchar(5))"},
    {SQL_CREATE_TABLE, SQL_CT_COLUMN_CONSTRAINT,
     "CREATE TABLE m (a integer PRIMARY KEY, b integer NOT NULL UNIQUE);DROP TABLE m"},
    {SQL_CREATE_TABLE, SQL_CT_COLUMN_DEFAULT, "CREATE TABLE m (a integer DEFAULT 1);DROP TABLE m"},
    {SQL_CREATE_TABLE, SQL_CT_TABLE_CONSTRAINT,
     "CREATE TABLE m (a integer, b integer, PRIMARY KEY (b, a), UNIQUE (a));DROP TABLE m"},
    {SQL_CREATE_TABLE, SQL_CT_CONSTRAINT_NAME_DEFINITION,
     "CREATE TABLE m (a integer, CONSTRAINT k PRIMARY KEY (a));DROP TABLE m"},
    {SQL_CREATE_TABLE, SQL_CT_COLUMN_COLLATION, "CREATE TABLE m (a varchar(5) COLLATE nocase)"},
    {SQL_CREATE_TABLE, SQL_CT_GLOBAL_TEMPORARY, "CREATE GLOBAL TEMPORARY TABLE m (a integer)"},
    {SQL_CREATE_TABLE, SQL_CT_LOCAL_TEMPORARY, "CREATE LOCAL TEMPORARY TABLE m (a integer)"},
    {SQL_DROP_TABLE, SQL_DT_DROP_TABLE, "DROP TABLE n"},
    {SQL_DROP_TABLE, SQL_DT_CASCADE, "CREATE TABLE n (a integer);DROP TABLE n CASCADE"},
    {SQL_DROP_TABLE, SQL_DT_RESTRICT, "CREATE TABLE n (a integer);DROP TABLE n RESTRICT"},
    {SQL_CREATE_VIEW, SQL_CV_CREATE_VIEW,
     "CREATE VIEW views.\"default\".w AS SELECT a FROM memory.\"default\".t"},
    {SQL_DROP_VIEW, SQL_DV_DROP_VIEW, "DROP VIEW views.\"default\".w"},
    {SQL_CREATE_SCHEMA, SQL_CS_CREATE_SCHEMA, "CREATE SCHEMA s"},
    {SQL_DROP_SCHEMA, SQL_DS_DROP_SCHEMA, "DROP SCHEMA s"},
#define INFO_VIEW(bit, view) \
    { SQL_INFO_SCHEMA_VIEWS, SQL_ISV_##bit, "SELECT * FROM information_schema." view }
    INFO_VIEW(COLUMNS, "columns"),
    INFO_VIEW(TABLES, "tables"),
    INFO_VIEW(SCHEMATA, "schemata"),
    INFO_VIEW(VIEWS, "views"),
    INFO_VIEW(ASSERTIONS, "assertions"),
    INFO_VIEW(CHARACTER_SETS, "character_sets"),
    INFO_VIEW(CHECK_CONSTRAINTS, "check_constraints"),
    INFO_VIEW(COLLATIONS, "collations"),
    INFO_VIEW(COLUMN_PRIVILEGES, "column_privileges"),
    INFO_VIEW(KEY_COLUMN_USAGE, "key_column_usage"),
    INFO_VIEW(REFERENTIAL_CONSTRAINTS, "referential_constraints"),
    INFO_VIEW(TABLE_CONSTRAINTS, "table_constraints"),
    INFO_VIEW(TABLE_PRIVILEGES, "table_privileges"),
};

/* Runs the statements of a row, split at ';'. */
static bool row_works(const BitRow *row) {
    char one[400];
    bool all = true;
    for (const char *at = row->sql; *at;) {
        size_t n = strcspn(at, ";");
        snprintf(one, sizeof one, "%.*s", (int)n, at);
        all = works(one) && all;
        at += at[n] ? n + 1 : n;
    }
    return all;
}

static void bits(void **state) {
    int wrong = 0;
    for (size_t i = 0; i < sizeof bit_rows / sizeof *bit_rows; i++) {
        const BitRow *row = &bit_rows[i];
        bool claimed = (bits_of(row->type) & row->bit) != 0, right = row_works(row);
        if (claimed == right) continue;
        print_message("type %u bit %x is %s: %s\n", row->type, row->bit,
                      claimed ? "claimed, and fails" : "not claimed, and works", row->sql);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* A bit that no row of the table above tries would be claimed without proof. */
static void every_bit_tried(void **state) {
    int wrong = 0;
    for (size_t i = 0; i < sizeof bit_rows / sizeof *bit_rows; i++) {
        SQLUINTEGER tried = 0;
        for (size_t k = 0; k < sizeof bit_rows / sizeof *bit_rows; k++)
            if (bit_rows[k].type == bit_rows[i].type) tried |= bit_rows[k].bit;
        if ((bits_of(bit_rows[i].type) & ~tried) == 0) continue;
        print_message("type %u claims %x, which nothing tries\n", bit_rows[i].type,
                      bits_of(bit_rows[i].type) & ~tried);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- conversions */

typedef struct ConvertType {
    SQLUSMALLINT type; /* SQL_CONVERT_... */
    SQLUINTEGER bit;
    const char *name, *odbc;
} ConvertType;

static const ConvertType convert_types[] = {
#define CONVERT(type, name) \
    { SQL_CONVERT_##type, SQL_CVT_##type, name, "SQL_" #type }
    CONVERT(BIGINT, "bigint"),
    CONVERT(BINARY, "varbinary"),
    CONVERT(BIT, "boolean"),
    CONVERT(CHAR, "char(30)"),
    CONVERT(DATE, "date"),
    CONVERT(DECIMAL, "decimal(10,2)"),
    CONVERT(DOUBLE, "double"),
    CONVERT(FLOAT, "double"),
    CONVERT(GUID, "uuid"),
    CONVERT(INTEGER, "integer"),
    {SQL_CONVERT_INTERVAL_DAY_TIME, SQL_CVT_INTERVAL_DAY_TIME, "interval day to second",
     "SQL_INTERVAL_DAY_TO_SECOND"},
    {SQL_CONVERT_INTERVAL_YEAR_MONTH, SQL_CVT_INTERVAL_YEAR_MONTH, "interval year to month",
     "SQL_INTERVAL_YEAR_TO_MONTH"},
    CONVERT(LONGVARBINARY, "varbinary"),
    CONVERT(LONGVARCHAR, "varchar"),
    CONVERT(NUMERIC, "decimal(10,2)"),
    CONVERT(REAL, "real"),
    CONVERT(SMALLINT, "smallint"),
    CONVERT(TIME, "time"),
    CONVERT(TIMESTAMP, "timestamp"),
    CONVERT(TINYINT, "tinyint"),
    CONVERT(VARBINARY, "varbinary"),
    CONVERT(VARCHAR, "varchar(30)"),
    CONVERT(WCHAR, "char(30)"),
    CONVERT(WLONGVARCHAR, "varchar"),
    CONVERT(WVARCHAR, "varchar(30)"),
};

/* A bit says: a value of the one type may be converted to the other, by CAST and by {fn CONVERT}. */
static void conversions(void **state) {
    char sql[300];
    int wrong = 0;
    size_t count = sizeof convert_types / sizeof *convert_types;
    for (size_t from = 0; from < count; from++) {
        SQLUINTEGER claims = bits_of(convert_types[from].type);
        for (size_t to = 0; to < count; to++) {
            bool claimed = (claims & convert_types[to].bit) != 0;
            snprintf(sql, sizeof sql, "SELECT CAST(CAST(NULL AS %s) AS %s)",
                     convert_types[from].name, convert_types[to].name);
            bool cast = works(sql);
            snprintf(sql, sizeof sql, "SELECT {fn CONVERT(CAST(NULL AS %s), %s)}",
                     convert_types[from].name, convert_types[to].odbc);
            bool convert = works(sql);
            if (cast == claimed && convert == claimed) continue;
            print_message("%s to %s is %s: CAST %s, CONVERT %s\n", convert_types[from].name,
                          convert_types[to].odbc, claimed ? "claimed" : "not claimed",
                          cast ? "works" : "fails", convert ? "works" : "fails");
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- what is no bit */

static const char *info_text(SQLUSMALLINT type) {
    static char text[8][400];
    static int turn;
    char *out = text[turn++ % 8];
    OK(odbc.SQLGetInfo(link3.dbc, type, out, sizeof text[0], NULL));
    return out;
}

static SQLUSMALLINT info_small(SQLUSMALLINT type) {
    SQLUSMALLINT value = 0xDEAD;
    OK(odbc.SQLGetInfo(link3.dbc, type, &value, sizeof value, NULL));
    return value;
}

/* The first column of the first row. */
static const char *answer(const char *sql) {
    static char out[4][200];
    static int turn;
    char *to = out[turn++ % 4];
    run_ok(&link3, sql);
    OK(odbc.SQLFetch(link3.stmt));
    snprintf(to, sizeof out[0], "%s", text_of(&link3, 1));
    OK(odbc.SQLFreeStmt(link3.stmt, SQL_CLOSE));
    return to;
}

static void language(void **state) {
    assert_int_equal(info_small(SQL_CONCAT_NULL_BEHAVIOR), SQL_CB_NULL);
    assert_string_equal(answer("SELECT 'a' || NULL"), "(null)");
    assert_int_equal(info_small(SQL_NULL_COLLATION), SQL_NC_END);
    assert_string_equal(answer("SELECT b FROM t ORDER BY b"), "x");
    assert_string_equal(answer("SELECT b FROM t ORDER BY b DESC"), "x");
    assert_int_equal(info_small(SQL_CORRELATION_NAME), SQL_CN_ANY);
    assert_true(works("SELECT anything.a FROM t AS anything"));
    assert_int_equal(info_small(SQL_GROUP_BY), SQL_GB_GROUP_BY_CONTAINS_SELECT);
    assert_true(works("SELECT b FROM t GROUP BY b, a"));
    assert_false(works("SELECT a, b FROM t GROUP BY a"));
    assert_string_equal(info_text(SQL_EXPRESSIONS_IN_ORDERBY), "Y");
    assert_true(works("SELECT a FROM t ORDER BY a * -1"));
    assert_string_equal(info_text(SQL_ORDER_BY_COLUMNS_IN_SELECT), "N");
    assert_true(works("SELECT b FROM t ORDER BY a"));
    assert_string_equal(info_text(SQL_COLUMN_ALIAS), "Y");
    assert_string_equal(answer("SELECT x FROM (SELECT a AS x FROM t) s ORDER BY x"), "1");
    assert_string_equal(info_text(SQL_LIKE_ESCAPE_CLAUSE), "Y");
    assert_string_equal(answer("SELECT 1 WHERE 'a%' LIKE 'a\\%' {escape '\\'}"), "1");
    assert_int_equal(info_small(SQL_IDENTIFIER_CASE), SQL_IC_MIXED);
    assert_true(works("SELECT A FROM T"));
    assert_int_equal(info_small(SQL_QUOTED_IDENTIFIER_CASE), SQL_IC_MIXED);
    assert_true(works("SELECT \"A\" FROM \"T\""));
    assert_string_equal(info_text(SQL_IDENTIFIER_QUOTE_CHAR), "\"");
    assert_string_equal(info_text(SQL_CATALOG_NAME_SEPARATOR), ".");
    assert_int_equal(info_small(SQL_CATALOG_LOCATION), SQL_CL_START);
    assert_int_equal(info_small(SQL_NON_NULLABLE_COLUMNS), SQL_NNC_NON_NULL);
    assert_true(works("CREATE TABLE nn (a integer NOT NULL)"));
    assert_true(works("DROP TABLE nn"));
    assert_string_equal(info_text(SQL_OUTER_JOINS), "Y");
    assert_string_equal(info_text(SQL_PROCEDURES), "N");
    assert_false(works("{call p()}"));
    assert_string_equal(info_text(SQL_MULT_RESULT_SETS), "N");
    assert_false(works("SELECT 1; SELECT 2"));
}

/* Words that are no names without quotes, and none that are. */
static void keywords(void **state) {
    static char words[20000];
    char sql[100];
    OK(odbc.SQLGetInfo(link3.dbc, SQL_KEYWORDS, words, sizeof words, NULL));
    int count = 0;
    for (char *save, *word = strtok_r(words, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
        snprintf(sql, sizeof sql, "SELECT 1 AS \"%s\"", word);
        assert_true(works(sql));
        count++;
    }
    assert_true(count > 0);
    assert_true(works("SELECT 1 AS not_a_keyword"));
}

/* ---------------------------------------------------------------- every type, in its form */

static const SQLUSMALLINT texts[] = {SQL_ACCESSIBLE_PROCEDURES,
                                     SQL_ACCESSIBLE_TABLES,
                                     SQL_CATALOG_NAME,
                                     SQL_CATALOG_NAME_SEPARATOR,
                                     SQL_CATALOG_TERM,
                                     SQL_COLLATION_SEQ,
                                     SQL_COLUMN_ALIAS,
                                     SQL_DATA_SOURCE_NAME,
                                     SQL_DATA_SOURCE_READ_ONLY,
                                     SQL_DATABASE_NAME,
                                     SQL_DBMS_NAME,
                                     SQL_DBMS_VER,
                                     SQL_DESCRIBE_PARAMETER,
                                     SQL_DRIVER_NAME,
                                     SQL_DRIVER_ODBC_VER,
                                     SQL_DRIVER_VER,
                                     SQL_EXPRESSIONS_IN_ORDERBY,
                                     SQL_IDENTIFIER_QUOTE_CHAR,
                                     SQL_INTEGRITY,
                                     SQL_KEYWORDS,
                                     SQL_LIKE_ESCAPE_CLAUSE,
                                     SQL_MAX_ROW_SIZE_INCLUDES_LONG,
                                     SQL_MULT_RESULT_SETS,
                                     SQL_MULTIPLE_ACTIVE_TXN,
                                     SQL_NEED_LONG_DATA_LEN,
                                     SQL_ODBC_VER,
                                     SQL_ORDER_BY_COLUMNS_IN_SELECT,
                                     SQL_OUTER_JOINS,
                                     SQL_PROCEDURE_TERM,
                                     SQL_PROCEDURES,
                                     SQL_ROW_UPDATES,
                                     SQL_SCHEMA_TERM,
                                     SQL_SEARCH_PATTERN_ESCAPE,
                                     SQL_SERVER_NAME,
                                     SQL_SPECIAL_CHARACTERS,
                                     SQL_TABLE_TERM,
                                     SQL_USER_NAME,
                                     SQL_XOPEN_CLI_YEAR};
static const SQLUSMALLINT smalls[] = {SQL_ACTIVE_ENVIRONMENTS,
                                      SQL_CATALOG_LOCATION,
                                      SQL_CONCAT_NULL_BEHAVIOR,
                                      SQL_CORRELATION_NAME,
                                      SQL_CURSOR_COMMIT_BEHAVIOR,
                                      SQL_CURSOR_ROLLBACK_BEHAVIOR,
                                      SQL_FILE_USAGE,
                                      SQL_GROUP_BY,
                                      SQL_IDENTIFIER_CASE,
                                      SQL_MAX_CATALOG_NAME_LEN,
                                      SQL_MAX_COLUMN_NAME_LEN,
                                      SQL_MAX_COLUMNS_IN_GROUP_BY,
                                      SQL_MAX_COLUMNS_IN_INDEX,
                                      SQL_MAX_COLUMNS_IN_ORDER_BY,
                                      SQL_MAX_COLUMNS_IN_SELECT,
                                      SQL_MAX_COLUMNS_IN_TABLE,
                                      SQL_MAX_CONCURRENT_ACTIVITIES,
                                      SQL_MAX_CURSOR_NAME_LEN,
                                      SQL_MAX_DRIVER_CONNECTIONS,
                                      SQL_MAX_IDENTIFIER_LEN,
                                      SQL_MAX_PROCEDURE_NAME_LEN,
                                      SQL_MAX_SCHEMA_NAME_LEN,
                                      SQL_MAX_TABLE_NAME_LEN,
                                      SQL_MAX_TABLES_IN_SELECT,
                                      SQL_MAX_USER_NAME_LEN,
                                      SQL_NON_NULLABLE_COLUMNS,
                                      SQL_NULL_COLLATION,
                                      SQL_QUOTED_IDENTIFIER_CASE,
                                      SQL_TXN_CAPABLE,
                                      SQL_ODBC_API_CONFORMANCE,
                                      SQL_ODBC_SQL_CONFORMANCE,
                                      SQL_ODBC_SAG_CLI_CONFORMANCE};
static const SQLUSMALLINT numbers[] = {SQL_AGGREGATE_FUNCTIONS,
                                       SQL_ALTER_DOMAIN,
                                       SQL_ALTER_TABLE,
                                       SQL_ASYNC_DBC_FUNCTIONS,
                                       SQL_ASYNC_MODE,
                                       SQL_ASYNC_NOTIFICATION,
                                       SQL_BATCH_ROW_COUNT,
                                       SQL_BATCH_SUPPORT,
                                       SQL_BOOKMARK_PERSISTENCE,
                                       SQL_CATALOG_USAGE,
                                       SQL_CONVERT_FUNCTIONS,
                                       SQL_CREATE_ASSERTION,
                                       SQL_CREATE_CHARACTER_SET,
                                       SQL_CREATE_COLLATION,
                                       SQL_CREATE_DOMAIN,
                                       SQL_CREATE_SCHEMA,
                                       SQL_CREATE_TABLE,
                                       SQL_CREATE_TRANSLATION,
                                       SQL_CREATE_VIEW,
                                       SQL_CURSOR_SENSITIVITY,
                                       SQL_DATETIME_LITERALS,
                                       SQL_DDL_INDEX,
                                       SQL_DEFAULT_TXN_ISOLATION,
                                       SQL_DROP_ASSERTION,
                                       SQL_DROP_CHARACTER_SET,
                                       SQL_DROP_COLLATION,
                                       SQL_DROP_DOMAIN,
                                       SQL_DROP_SCHEMA,
                                       SQL_DROP_TABLE,
                                       SQL_DROP_TRANSLATION,
                                       SQL_DROP_VIEW,
                                       SQL_DYNAMIC_CURSOR_ATTRIBUTES1,
                                       SQL_DYNAMIC_CURSOR_ATTRIBUTES2,
                                       SQL_FETCH_DIRECTION,
                                       SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES1,
                                       SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES2,
                                       SQL_GETDATA_EXTENSIONS,
                                       SQL_INDEX_KEYWORDS,
                                       SQL_INFO_SCHEMA_VIEWS,
                                       SQL_INSERT_STATEMENT,
                                       SQL_KEYSET_CURSOR_ATTRIBUTES1,
                                       SQL_KEYSET_CURSOR_ATTRIBUTES2,
                                       SQL_LOCK_TYPES,
                                       SQL_MAX_ASYNC_CONCURRENT_STATEMENTS,
                                       SQL_MAX_BINARY_LITERAL_LEN,
                                       SQL_MAX_CHAR_LITERAL_LEN,
                                       SQL_MAX_INDEX_SIZE,
                                       SQL_MAX_ROW_SIZE,
                                       SQL_MAX_STATEMENT_LEN,
                                       SQL_NUMERIC_FUNCTIONS,
                                       SQL_ODBC_INTERFACE_CONFORMANCE,
                                       SQL_OJ_CAPABILITIES,
                                       SQL_PARAM_ARRAY_ROW_COUNTS,
                                       SQL_PARAM_ARRAY_SELECTS,
                                       SQL_POS_OPERATIONS,
                                       SQL_POSITIONED_STATEMENTS,
                                       SQL_SCHEMA_USAGE,
                                       SQL_SCROLL_CONCURRENCY,
                                       SQL_SCROLL_OPTIONS,
                                       SQL_SQL_CONFORMANCE,
                                       SQL_SQL92_DATETIME_FUNCTIONS,
                                       SQL_SQL92_FOREIGN_KEY_DELETE_RULE,
                                       SQL_SQL92_FOREIGN_KEY_UPDATE_RULE,
                                       SQL_SQL92_GRANT,
                                       SQL_SQL92_NUMERIC_VALUE_FUNCTIONS,
                                       SQL_SQL92_PREDICATES,
                                       SQL_SQL92_RELATIONAL_JOIN_OPERATORS,
                                       SQL_SQL92_REVOKE,
                                       SQL_SQL92_ROW_VALUE_CONSTRUCTOR,
                                       SQL_SQL92_STRING_FUNCTIONS,
                                       SQL_SQL92_VALUE_EXPRESSIONS,
                                       SQL_STANDARD_CLI_CONFORMANCE,
                                       SQL_STATIC_CURSOR_ATTRIBUTES1,
                                       SQL_STATIC_CURSOR_ATTRIBUTES2,
                                       SQL_STATIC_SENSITIVITY,
                                       SQL_STRING_FUNCTIONS,
                                       SQL_SUBQUERIES,
                                       SQL_SYSTEM_FUNCTIONS,
                                       SQL_TIMEDATE_ADD_INTERVALS,
                                       SQL_TIMEDATE_DIFF_INTERVALS,
                                       SQL_TIMEDATE_FUNCTIONS,
                                       SQL_TXN_ISOLATION_OPTION,
                                       SQL_UNION,
                                       SQL_CONVERT_BIGINT,
                                       SQL_DTC_TRANSITION_COST,
                                       SQL_DRIVER_AWARE_POOLING_SUPPORTED};

/* Text is measured, cut with 01004 and always terminated; numbers fill their width and no more. */
static void forms(void **state) {
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char out[30000];
        SQLWCHAR wide_out[4];
        SQLSMALLINT length = -1, again = -1;
        OK(odbc.SQLGetInfo(link3.dbc, texts[i], out, sizeof out, &length));
        assert_int_equal(length, strlen(out));
        OK(odbc.SQLGetInfo(link3.dbc, texts[i], NULL, 0, &again));
        assert_int_equal(again, length);
        memset(wide_out, 0x55, sizeof wide_out);
        SQLRETURN result = odbc.SQLGetInfoW(link3.dbc, texts[i], wide_out, 5, &again);
        assert_int_equal(result, length > 1 ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS);
        assert_int_equal(wide_out[length > 1 ? 1 : length], 0);
        assert_int_equal(wide_out[2], 0x5555);
    }
    for (int wide_numbers = 0; wide_numbers < 2; wide_numbers++) {
        const SQLUSMALLINT *types = wide_numbers ? numbers : smalls;
        size_t count = wide_numbers ? sizeof numbers / 2 : sizeof smalls / 2;
        for (size_t i = 0; i < count; i++) {
            unsigned char out[8];
            SQLSMALLINT length = -1, width = wide_numbers ? 4 : 2;
            memset(out, 0x55, sizeof out);
            OK(odbc.SQLGetInfo(link3.dbc, types[i], out, 0, &length)); /* the length is ignored */
            assert_int_equal(length, width);
            for (int b = width; b < 8; b++) assert_int_equal(out[b], 0x55);
        }
    }
    /* Those that Windows programs ask for by number (169, 173, 180, 1750) are among them. */
    static const SQLUSMALLINT numbered[] = {169, 173, 180, 1750};
    for (size_t i = 0; i < 4; i++) {
        SQLUINTEGER value;
        OK(odbc.SQLGetInfo(link3.dbc, numbered[i], &value, sizeof value, NULL));
    }
    FAILS(odbc.SQLGetInfo(link3.dbc, 9876, NULL, 0, NULL));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, link3.dbc), "HY096");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),    cmocka_unit_test(language),
        cmocka_unit_test(keywords), cmocka_unit_test(conversions),
        cmocka_unit_test(bits),     cmocka_unit_test(every_bit_tried),
    };
    return cmocka_run_group_tests_name("SQLGetInfo", tests, load, unload);
}
