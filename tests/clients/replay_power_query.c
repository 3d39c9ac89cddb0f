/*
 * replay_power_query.c - Power Query (Excel, Power BI): two environments, a long questionnaire of
 * SQLGetInfo, the navigator's catalog functions with NULL schemas, each query twice (its columns first,
 * by seven fields of SQLColAttribute), rows by SQLGetData in parts of 4,096 bytes of UTF-16.
 */
#include "tests/clients/replay.h"

#define ORDERS "\"mysql_catalog\".\"analytics_db\".\"sample_orders\""
#define PART   4096

/* What it asks, as text (T), as a 16-bit or as a 32-bit number. */
static const struct {
    SQLUSMALLINT type;
    char kind;
} questions[] = {
    {SQL_DRIVER_NAME, 'T'},
    {SQL_DRIVER_VER, 'T'},
    {SQL_DRIVER_ODBC_VER, 'T'},
    {SQL_DBMS_NAME, 'T'},
    {SQL_DBMS_VER, 'T'},
    {SQL_DATA_SOURCE_NAME, 'T'},
    {SQL_SERVER_NAME, 'T'},
    {SQL_DATABASE_NAME, 'T'},
    {SQL_USER_NAME, 'T'},
    {SQL_DATA_SOURCE_READ_ONLY, 'T'},
    {SQL_IDENTIFIER_QUOTE_CHAR, 'T'},
    {SQL_CATALOG_NAME, 'T'},
    {SQL_CATALOG_NAME_SEPARATOR, 'T'},
    {SQL_CATALOG_TERM, 'T'},
    {SQL_SCHEMA_TERM, 'T'},
    {SQL_TABLE_TERM, 'T'},
    {SQL_PROCEDURES, 'T'},
    {SQL_PROCEDURE_TERM, 'T'},
    {SQL_SEARCH_PATTERN_ESCAPE, 'T'},
    {SQL_SPECIAL_CHARACTERS, 'T'},
    {SQL_KEYWORDS, 'T'},
    {SQL_COLUMN_ALIAS, 'T'},
    {SQL_ORDER_BY_COLUMNS_IN_SELECT, 'T'},
    {SQL_EXPRESSIONS_IN_ORDERBY, 'T'},
    {SQL_LIKE_ESCAPE_CLAUSE, 'T'},
    {SQL_OUTER_JOINS, 'T'},
    {SQL_MULT_RESULT_SETS, 'T'},
    {SQL_MULTIPLE_ACTIVE_TXN, 'T'},
    {SQL_NEED_LONG_DATA_LEN, 'T'},
    {SQL_ACCESSIBLE_TABLES, 'T'},
    {SQL_ACCESSIBLE_PROCEDURES, 'T'},
    {SQL_INTEGRITY, 'T'},
    {SQL_DESCRIBE_PARAMETER, 'T'},
    {SQL_COLLATION_SEQ, 'T'},
    {SQL_IDENTIFIER_CASE, '2'},
    {SQL_QUOTED_IDENTIFIER_CASE, '2'},
    {SQL_CATALOG_LOCATION, '2'},
    {SQL_GROUP_BY, '2'},
    {SQL_CONCAT_NULL_BEHAVIOR, '2'},
    {SQL_CORRELATION_NAME, '2'},
    {SQL_NULL_COLLATION, '2'},
    {SQL_NON_NULLABLE_COLUMNS, '2'},
    {SQL_TXN_CAPABLE, '2'},
    {SQL_CURSOR_COMMIT_BEHAVIOR, '2'},
    {SQL_CURSOR_ROLLBACK_BEHAVIOR, '2'},
    {SQL_MAX_IDENTIFIER_LEN, '2'},
    {SQL_MAX_COLUMN_NAME_LEN, '2'},
    {SQL_MAX_COLUMNS_IN_SELECT, '2'},
    {SQL_MAX_COLUMNS_IN_GROUP_BY, '2'},
    {SQL_MAX_COLUMNS_IN_ORDER_BY, '2'},
    {SQL_MAX_TABLES_IN_SELECT, '2'},
    {SQL_ACTIVE_ENVIRONMENTS, '2'},
    {SQL_MAX_CONCURRENT_ACTIVITIES, '2'},
    {SQL_SQL_CONFORMANCE, '4'},
    {SQL_ODBC_INTERFACE_CONFORMANCE, '4'},
    {SQL_CATALOG_USAGE, '4'},
    {SQL_SCHEMA_USAGE, '4'},
    {SQL_AGGREGATE_FUNCTIONS, '4'},
    {SQL_NUMERIC_FUNCTIONS, '4'},
    {SQL_STRING_FUNCTIONS, '4'},
    {SQL_SYSTEM_FUNCTIONS, '4'},
    {SQL_TIMEDATE_FUNCTIONS, '4'},
    {SQL_TIMEDATE_ADD_INTERVALS, '4'},
    {SQL_TIMEDATE_DIFF_INTERVALS, '4'},
    {SQL_CONVERT_FUNCTIONS, '4'},
    {SQL_OJ_CAPABILITIES, '4'},
    {SQL_SQL92_PREDICATES, '4'},
    {SQL_SQL92_RELATIONAL_JOIN_OPERATORS, '4'},
    {SQL_SQL92_VALUE_EXPRESSIONS, '4'},
    {SQL_SQL92_STRING_FUNCTIONS, '4'},
    {SQL_SUBQUERIES, '4'},
    {SQL_UNION, '4'},
    {SQL_GETDATA_EXTENSIONS, '4'},
    {SQL_MAX_STATEMENT_LEN, '4'},
};

static SQLUINTEGER number_of(SQLHDBC dbc, SQLUSMALLINT type) {
    SQLUINTEGER value = 0;
    SQLSMALLINT len = 0;
    OK(NULL, SQLGetInfoW(dbc, type, &value, sizeof value, &len));
    CHECK(NULL, len == sizeof value);
    return value;
}

static void ask_everything(SQLHDBC dbc) {
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        SQLWCHAR text[2048];
        SQLSMALLINT len = -1;
        SQLUINTEGER number = UINT32_MAX;
        if (questions[i].kind != 'T') {
            OK(NULL, SQLGetInfoW(dbc, questions[i].type, &number, sizeof number, &len));
            CHECK(NULL, len == questions[i].kind - '0');
            continue;
        }
        SQLRETURN rc = SQLGetInfoW(dbc, questions[i].type, text, sizeof text, &len);
        CHECK(NULL, SQL_SUCCEEDED(rc) && len >= 0 && len % 2 == 0);
        if (len < (SQLSMALLINT)sizeof text) CHECK(NULL, text[len / 2] == 0);
    }
}

/* What decides how much of a query it folds into SQL. */
static void folding(SQLHDBC dbc) {
    SQLWCHAR text[16];
    SQLSMALLINT len;
    SQLUINTEGER aggregates = SQL_AF_COUNT | SQL_AF_SUM | SQL_AF_MIN | SQL_AF_MAX | SQL_AF_AVG;
    SQLUINTEGER joins = SQL_SRJO_INNER_JOIN | SQL_SRJO_LEFT_OUTER_JOIN;
    CHECK(NULL, number_of(dbc, SQL_SQL_CONFORMANCE) == SQL_SC_SQL92_ENTRY);
    CHECK(NULL, (number_of(dbc, SQL_AGGREGATE_FUNCTIONS) & aggregates) == aggregates);
    CHECK(NULL, (number_of(dbc, SQL_SQL92_RELATIONAL_JOIN_OPERATORS) & joins) == joins);
    CHECK(NULL, number_of(dbc, SQL_CONVERT_FUNCTIONS) & SQL_FN_CVT_CAST);
    CHECK(NULL, number_of(dbc, SQL_GETDATA_EXTENSIONS) & SQL_GD_ANY_COLUMN);
    OK(NULL, SQLGetInfoW(dbc, SQL_IDENTIFIER_QUOTE_CHAR, text, sizeof text, &len));
    CHECK(NULL, wide_is(text, "\"") && len == 2);
}

static void functions(SQLHDBC dbc) {
    SQLUSMALLINT bitmap[SQL_API_ODBC3_ALL_FUNCTIONS_SIZE];
    static const SQLUSMALLINT needed[] = {SQL_API_SQLTABLES,      SQL_API_SQLCOLUMNS,
                                          SQL_API_SQLPRIMARYKEYS, SQL_API_SQLFOREIGNKEYS,
                                          SQL_API_SQLGETDATA,     SQL_API_SQLCOLATTRIBUTE};
    OK(NULL, SQLGetFunctions(dbc, SQL_API_ODBC3_ALL_FUNCTIONS, bitmap));
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        CHECK(NULL, SQL_FUNC_EXISTS(bitmap, needed[i]) == SQL_TRUE);
}

static void types(SQLHSTMT stmt) {
    bool varchar = false;
    OK(stmt, SQLGetTypeInfoW(stmt, SQL_ALL_TYPES));
    while (SQLFetch(stmt) == SQL_SUCCESS) {
        SQLWCHAR name[128];
        SQLSMALLINT type;
        SQLLEN length;
        OK(stmt, SQLGetData(stmt, 1, SQL_C_WCHAR, name, sizeof name, &length));
        OK(stmt, SQLGetData(stmt, 2, SQL_C_SSHORT, &type, 0, &length));
        if (type == SQL_WVARCHAR && wide_is(name, "varchar")) varchar = true;
    }
    CHECK(stmt, varchar);
    OK(stmt, SQLCloseCursor(stmt));
}

/* Tables of a catalog with a NULL schema, the columns of one, the keys that lead from and to it. */
static void navigator(SQLHSTMT stmt) {
    SQLWCHAR kinds[] = {'T', 'A', 'B', 'L', 'E', ',', 'V', 'I', 'E', 'W', 0};
    bool found = false;
    OK(stmt, SQLTablesW(stmt, wide("mysql_catalog"), SQL_NTS, NULL, 0, NULL, 0, kinds, SQL_NTS));
    while (SQLFetch(stmt) == SQL_SUCCESS) {
        CHECK(stmt, strcmp(cell(stmt, 1), "mysql_catalog") == 0);
        if (strcmp(cell(stmt, 2), "analytics_db") == 0 &&
            strcmp(cell(stmt, 3), "sample_orders") == 0)
            found = strcmp(cell(stmt, 4), "TABLE") == 0;
    }
    CHECK(stmt, found);
    OK(stmt, SQLCloseCursor(stmt));
    OK(stmt, SQLColumnsW(stmt, wide("mysql_catalog"), SQL_NTS, wide("analytics_db"), SQL_NTS,
                         wide("sample\\_orders"), SQL_NTS, NULL, 0));
    CHECK(stmt, drain(stmt) == 6);
    OK(stmt, SQLPrimaryKeysW(stmt, wide("mysql_catalog"), SQL_NTS, wide("analytics_db"), SQL_NTS,
                             wide("sample_orders"), SQL_NTS));
    OK(stmt, SQLFetch(stmt));
    CHECK(stmt, strcmp(cell(stmt, 4), "order_id") == 0);
    CHECK(stmt, drain(stmt) == 0);
    OK(stmt, SQLForeignKeysW(stmt, NULL, 0, NULL, 0, NULL, 0, wide("mysql_catalog"), SQL_NTS,
                             wide("analytics_db"), SQL_NTS, wide("sample_orders"), SQL_NTS));
    CHECK(stmt, drain(stmt) == 0);
    OK(stmt, SQLForeignKeysW(stmt, wide("mysql_catalog"), SQL_NTS, wide("analytics_db"), SQL_NTS,
                             wide("sample_orders"), SQL_NTS, NULL, 0, NULL, 0, NULL, 0));
    CHECK(stmt, drain(stmt) == 0);
    OK(stmt, SQLStatisticsW(stmt, wide("mysql_catalog"), SQL_NTS, wide("analytics_db"), SQL_NTS,
                            wide("sample_orders"), SQL_NTS, SQL_INDEX_UNIQUE, SQL_QUICK));
    CHECK(stmt, drain(stmt) >= 1);
}

/* The seven fields of a column. */
static void attributes(SQLHSTMT stmt, SQLUSMALLINT column, const char *name, SQLLEN type,
                       SQLLEN size) {
    static const SQLUSMALLINT fields[] = {SQL_DESC_SCALE, SQL_DESC_NULLABLE, SQL_DESC_UNSIGNED};
    SQLWCHAR text[256];
    SQLSMALLINT len;
    SQLLEN value;
    OK(stmt, SQLColAttributeW(stmt, column, SQL_DESC_NAME, text, sizeof text, &len, NULL));
    CHECK(stmt, wide_is(text, name) && len == (SQLSMALLINT)strlen(name) * 2);
    OK(stmt, SQLColAttributeW(stmt, column, SQL_DESC_CONCISE_TYPE, NULL, 0, NULL, &value));
    CHECK(stmt, value == type);
    OK(stmt, SQLColAttributeW(stmt, column, SQL_DESC_TYPE_NAME, text, sizeof text, &len, NULL));
    CHECK(stmt, len > 0);
    OK(stmt,
       SQLColAttributeW(stmt, column, type == SQL_WVARCHAR ? SQL_DESC_LENGTH : SQL_DESC_PRECISION,
                        NULL, 0, NULL, &value));
    CHECK(stmt, value == size);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        OK(stmt, SQLColAttributeW(stmt, column, fields[i], NULL, 0, NULL, &value));
        CHECK(stmt, value >= 0);
    }
}

static void order_columns(SQLHSTMT stmt) {
    SQLSMALLINT n;
    OK(stmt, SQLNumResultCols(stmt, &n));
    CHECK(stmt, n == 6);
    attributes(stmt, 1, "order_id", SQL_INTEGER, 10);
    attributes(stmt, 3, "product_name", SQL_WVARCHAR, 255);
    attributes(stmt, 5, "price", SQL_DECIMAL, 10);
    attributes(stmt, 6, "order_date", SQL_TYPE_DATE, 0);
}

static void typed_row(SQLHSTMT stmt) {
    SQLINTEGER id;
    SQLWCHAR name[PART / 2], price[PART / 2];
    SQL_DATE_STRUCT date;
    SQLLEN length;
    OK(stmt, SQLFetch(stmt));
    OK(stmt, SQLGetData(stmt, 1, SQL_C_SLONG, &id, 0, &length));
    CHECK(stmt, id == 1004);
    OK(stmt, SQLGetData(stmt, 3, SQL_C_WCHAR, name, sizeof name, &length));
    CHECK(stmt, wide_is(name, "4K Monitor") && length == 20);
    OK(stmt, SQLGetData(stmt, 5, SQL_C_WCHAR, price, sizeof price, &length));
    CHECK(stmt, wide_is(price, "399.99"));
    OK(stmt, SQLGetData(stmt, 6, SQL_C_TYPE_DATE, &date, 0, &length));
    CHECK(stmt, date.year == 2024 && date.month == 1 && date.day == 18);
    CHECK(stmt, SQLGetData(stmt, 6, SQL_C_TYPE_DATE, &date, 0, &length) == SQL_NO_DATA);
}

/* The preview asks for the columns of the prepared text and forgets it; the load executes it. */
static void each_query_twice(SQLHSTMT stmt) {
    static const char query[] =
        "select \"_\".\"order_id\", \"_\".\"customer_id\", \"_\".\"product_name\", "
        "\"_\".\"quantity\", \"_\".\"price\", \"_\".\"order_date\" from " ORDERS
        " \"_\" where \"_\".\"order_date\" = {d '2024-01-18'}";
    OK(stmt, SQLPrepareW(stmt, wide(query), SQL_NTS));
    order_columns(stmt);
    OK(stmt, SQLFreeStmt(stmt, SQL_CLOSE));
    OK(stmt, SQLExecDirectW(stmt, wide(query), SQL_NTS));
    order_columns(stmt);
    typed_row(stmt);
    CHECK(stmt, drain(stmt) == 0);
}

static void folded_group(SQLHSTMT stmt) {
    OK(stmt,
       SQLExecDirectW(stmt,
                      wide("select \"rows\".\"customer_id\" as \"customer_id\", "
                           "sum(\"rows\".\"price\") as \"a0\" from (select \"_\".\"customer_id\", "
                           "\"_\".\"price\" from " ORDERS " \"_\" where \"_\".\"product_name\" "
                           "is not null) \"rows\" group by \"customer_id\" order by 1"),
                      SQL_NTS));
    OK(stmt, SQLFetch(stmt));
    CHECK(stmt, strcmp(cell(stmt, 1), "101") == 0 && strcmp(cell(stmt, 2), "1699.98") == 0);
    CHECK(stmt, drain(stmt) == 4);
}

/* A text of 10,000 characters beyond ASCII comes in parts, each but the last 01004 with what is left. */
static void parts(SQLHSTMT stmt) {
    SQLWCHAR text[PART / 2];
    SQLLEN length, left = 20000;
    size_t units = 0;
    SQLRETURN rc;
    SQLWCHAR *sql = wide("SELECT rpad('', 10000, U&'\\00E4\\20AC') AS t");
    OK(stmt, SQLExecDirectW(stmt, sql, SQL_NTS));
    OK(stmt, SQLFetch(stmt));
    while ((rc = SQLGetData(stmt, 1, SQL_C_WCHAR, text, sizeof text, &length)) != SQL_NO_DATA) {
        CHECK(stmt, length == left);
        size_t got = length > PART - 2 ? PART / 2 - 1 : (size_t)length / 2;
        CHECK(stmt, text[got] == 0);
        CHECK(stmt, rc == (length > PART - 2 ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS));
        if (rc == SQL_SUCCESS_WITH_INFO) CHECK(stmt, state_is(SQL_HANDLE_STMT, stmt, "01004"));
        for (size_t i = 0; i < got; i++) CHECK(stmt, text[i] == ((units + i) % 2 ? 0x20AC : 0xE4));
        units += got;
        left -= (SQLLEN)got * 2;
    }
    CHECK(stmt, units == 10000);
    OK(stmt, SQLCloseCursor(stmt));
}

void replay_power_query(const char *dsn) {
    char string[256];
    Session first, second;
    snprintf(string, sizeof string, "DSN=%s", dsn);
    session_open(&first, SQL_OV_ODBC3, SQL_CUR_USE_DRIVER, string);
    ask_everything(first.dbc);
    session_open(&second, SQL_OV_ODBC3_80, SQL_CUR_USE_DRIVER, string);
    ask_everything(second.dbc);
    folding(second.dbc);
    functions(second.dbc);
    types(second.stmt);
    navigator(second.stmt);
    session_close(&first);
    each_query_twice(second.stmt);
    folded_group(second.stmt);
    parts(second.stmt);
    session_close(&second);
}
