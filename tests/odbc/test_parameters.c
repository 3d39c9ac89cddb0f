/*
 * test_parameters.c - conversions from C to SQL: every cell of parameters.def, with what the engine is
 * given; NULL, lengths, default parameters, precisions of descriptors; in every locale.
 */
#include "tests/odbc/cvalue.h"
#include "tests/odbc/each.h"

#include <locale.h>
#include <time.h>

#define ROOM 256

typedef struct Row {
    SQLSMALLINT sqltype; /* 0: a cell of the target before it */
    SQLULEN size;
    SQLSMALLINT digits, ctype;
    const char *value, *result;
    char state[6];
} Row;

static const Row rows[] = {
#define TARGET(type, size, digits) {type, size, digits, 0, NULL, NULL, ""},
#define SENT(ctype, value, result) {0, 0, 0, ctype, value, result, ""},
#define WARN(ctype, value, result) {0, 0, 0, ctype, value, result, "01S07"},
#define BAD(ctype, value, state)   {0, 0, 0, ctype, value, NULL, state},
#define NONE(ctype, unused)        {0, 0, 0, ctype, NULL, unused, "07006"},
#include "tests/odbc/parameters.def"
};
#define NROWS (sizeof rows / sizeof *rows)

static Odbc odbc;
static const char *place = "";

/* Values, encoded before any locale is set. */
static unsigned char data[NROWS][ROOM];
static size_t bytes[NROWS];

static int load(void **state) {
    odbc_load(&odbc, FAKE_DRIVER);
    for (size_t i = 0; i < NROWS; i++)
        if (rows[i].value) bytes[i] = cvalue_encode(rows[i].ctype, rows[i].value, data[i]);
    return 0;
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, "Driver=fake", false);
    OK(odbc.SQLPrepare(link->stmt, (SQLCHAR *)"echo ?", SQL_NTS));
}

/* The expected text, "today" replaced. */
static const char *result_text(const char *result) {
    static char text[300];
    const char *today = strstr(result, "today");
    if (!today) return result;
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    snprintf(text, sizeof text, "%.*s%04d-%02d-%02d%s", (int)(today - result), result,
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, today + 5);
    return text;
}

static void cell_failed(const Row *target, const Row *row, const char *what, const char *instead) {
    fail_msg("%s: %s '%s' as SQL type %d(%lu,%d): '%s' instead of '%s'", place,
             cvalue_type_name(row->ctype), row->value ? row->value : "", target->sqltype,
             (unsigned long)target->size, target->digits, what, instead);
}

static void check_cell(Link *link, const Row *target, size_t i, bool terminated) {
    const Row *row = &rows[i];
    SQLLEN length = terminated ? SQL_NTS : (SQLLEN)bytes[i];
    SQLRETURN result =
        odbc.SQLBindParameter(link->stmt, 1, SQL_PARAM_INPUT, row->ctype, target->sqltype,
                              target->size, target->digits, data[i], ROOM, &length);
    if (!row->value) {
        if (result != SQL_ERROR ||
            strcmp(diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), "07006") != 0)
            cell_failed(target, row, "bound", "07006");
        return;
    }
    if (result != SQL_SUCCESS)
        cell_failed(target, row, diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), "bound");
    result = odbc.SQLExecute(link->stmt);
    const char *got = result == SQL_SUCCESS ? "" : diag_of(&odbc, SQL_HANDLE_STMT, link->stmt);
    if (strcmp(got, row->state) != 0) cell_failed(target, row, got, row->state);
    if (result == SQL_ERROR) return;
    OK(odbc.SQLFetch(link->stmt));
    const char *text = text_of(link, 1), *wanted = result_text(row->result);
    if (strcmp(text, wanted) != 0) cell_failed(target, row, text, wanted);
    close_cursor(link);
}

static void all_cells(void) {
    Link link;
    const Row *target = NULL;
    open3(&link);
    for (size_t i = 0; i < NROWS; i++) {
        if (rows[i].sqltype) {
            target = &rows[i];
            continue;
        }
        check_cell(&link, target, i, false);
        if (rows[i].ctype == SQL_C_CHAR || rows[i].ctype == SQL_C_WCHAR)
            check_cell(&link, target, i, true);
    }
    link_close(&link);
}

static void cells(void **state) {
    place = "without setlocale";
    all_cells();
}

static void locales(void **state) {
    static const char *const names[] = {"C", "de_DE.UTF-8", "de_DE.ISO-8859-1", "tr_TR.UTF-8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i])) continue;
        place = names[i];
        all_cells();
        setlocale(LC_ALL, "C");
    }
}

/* No pair of an SQL type and a C type is missing. */
static void complete(void **state) {
    static bool seen[256][64];
    SQLSMALLINT type = 0;
    size_t cell_count = 0, type_count = 0;
    for (size_t i = 0; i < NROWS; i++) {
        if (rows[i].sqltype) {
            type = rows[i].sqltype;
            continue;
        }
        cell_count++;
        for (size_t c = 0; c < cvalue_type_count; c++)
            if (cvalue_type(c) == rows[i].ctype) seen[type + 128][c] = true;
    }
    for (int t = 0; t < 256; t++) {
        if (!seen[t][0]) continue;
        type_count++;
        for (size_t c = 0; c < cvalue_type_count; c++)
            if (!seen[t][c])
                fail_msg("no cell of %s as SQL type %d", cvalue_type_name(cvalue_type(c)), t - 128);
    }
    assert_int_equal(type_count, 39);
    print_message("%zu cells of %zu C types and %zu SQL types\n", cell_count, cvalue_type_count,
                  type_count);
}

#define BIND(ctype, type, size, digits, value, room, length)                        \
    odbc.SQLBindParameter(link.stmt, 1, SQL_PARAM_INPUT, ctype, type, size, digits, \
                          (SQLPOINTER)(uintptr_t)(value), room, length)

/* NULL of every C type, SQL_DEFAULT_PARAM, lengths. */
static void lengths(void **state) {
    Link link;
    SQLLEN length = SQL_NULL_DATA;
    SQLINTEGER number = 7;
    SQLWCHAR wide_text[] = {'a', 'b', 'c', 0};
    open3(&link);
    for (size_t c = 0; c < cvalue_type_count; c++) {
        OK(BIND(cvalue_type(c), SQL_VARCHAR, 10, 0, NULL, 0, &length));
        OK(odbc.SQLExecute(link.stmt));
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 1), "NULL");
        close_cursor(&link);
    }
    length = SQL_DEFAULT_PARAM;
    OK(BIND(SQL_C_SLONG, SQL_INTEGER, 0, 0, &number, 0, &length));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "07S01");
    length = -77;
    OK(BIND(SQL_C_CHAR, SQL_VARCHAR, 0, 0, "abc", 0, &length));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "HY090");
    const struct {
        SQLSMALLINT ctype, type;
        const void *value;
        SQLLEN length;
        const char *result;
    } good[] = {
        {SQL_C_CHAR, SQL_VARCHAR, "abcdef", 3, "varchar=abc"},
        {SQL_C_CHAR, SQL_VARCHAR, "abcdef", 0, "varchar="},
        {SQL_C_WCHAR, SQL_WVARCHAR, wide_text, 4, "varchar=ab"},
        {SQL_C_WCHAR, SQL_WVARCHAR, wide_text, 5, "varchar=ab"}, /* rounded down */
        {SQL_C_WCHAR, SQL_WVARCHAR, wide_text, SQL_NTS, "varchar=abc"},
        {SQL_C_CHAR, SQL_INTEGER, "123456", 3, "integer=123"},
        {SQL_C_SLONG, SQL_INTEGER, &number, 1, "integer=7"}, /* ignored for fixed types */
        {SQL_C_BINARY, SQL_VARBINARY, "abcdef", 2, "varbinary=6162"},
        {SQL_C_DEFAULT, SQL_INTEGER, &number, 0, "integer=7"},
        {SQL_C_DEFAULT, SQL_VARCHAR, "x", SQL_NTS, "varchar=x"},
        {SQL_C_DEFAULT, SQL_DECIMAL, "1.5", SQL_NTS, "decimal=1.5"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        length = good[i].length;
        OK(BIND(good[i].ctype, good[i].type, 0, 0, good[i].value, 0, &length));
        OK(odbc.SQLExecute(link.stmt));
        OK(odbc.SQLFetch(link.stmt));
        assert_string_equal(text_of(&link, 1), good[i].result);
        close_cursor(&link);
    }
    /* a size that this driver reports for texts without a bound is none */
    static char text[6001];
    memset(text, 'x', 6000);
    length = SQL_NTS;
    OK(BIND(SQL_C_CHAR, SQL_WVARCHAR, 4000, 0, text, 0, &length));
    OK(odbc.SQLExecute(link.stmt));
    close_cursor(&link);
    OK(BIND(SQL_C_CHAR, SQL_WVARCHAR, 5999, 0, text, 0, &length));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "22001");
    link_close(&link);
}

/* Leading precision and seconds of intervals as descriptors say. */
static void precisions(void **state) {
    Link link;
    SQLHDESC apd, ipd;
    SQL_INTERVAL_STRUCT interval;
    open3(&link);
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_PARAM_DESC, &apd, 0, NULL));
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_IMP_PARAM_DESC, &ipd, 0, NULL));
    cvalue_encode(SQL_C_INTERVAL_DAY_TO_SECOND, "+ 123 0 0 1 5", &interval);
    OK(BIND(SQL_C_INTERVAL_DAY_TO_SECOND, SQL_INTERVAL_DAY_TO_SECOND, 0, 0, &interval, 0, NULL));
    SQLINTEGER leading = 0;
    OK(odbc.SQLGetDescField(ipd, 1, SQL_DESC_DATETIME_INTERVAL_PRECISION, &leading, 0, NULL));
    assert_int_equal(leading, 2);
    OK(odbc.SQLSetDescField(apd, 1, SQL_DESC_PRECISION, (SQLPOINTER)3, 0)); /* 5 thousandths */
    OK(odbc.SQLSetDescField(apd, 1, SQL_DESC_DATA_PTR, &interval, 0));
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "interval day to second=10627201005000");
    close_cursor(&link);
    OK(odbc.SQLSetDescField(ipd, 1, SQL_DESC_DATETIME_INTERVAL_PRECISION, (SQLPOINTER)2, 0));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "22015");
    OK(odbc.SQLSetDescField(ipd, 1, SQL_DESC_DATETIME_INTERVAL_PRECISION, (SQLPOINTER)3, 0));
    OK(odbc.SQLExecute(link.stmt));
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete), cmocka_unit_test(cells),      cmocka_unit_test(lengths),
        cmocka_unit_test(locales),  cmocka_unit_test(precisions),
    };
    return cmocka_run_group_tests_name("cells of C to SQL", tests, load, NULL);
}
