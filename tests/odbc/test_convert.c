/*
 * test_convert.c - conversions and fetching: every type as every C type, bound and by SQLGetData, by
 * column and by row, in parts, across batches, in several locales.
 */
#include "tests/odbc/odbc_test.h"

#include <locale.h>
#include <stdlib.h>

static Odbc odbc;

static int load(void **state) {
    odbc_load(&odbc, FAKE_DRIVER);
    return 0;
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, "Driver=fake", false);
}

/* ---- expected texts */

static const char *const texts[25][3] = {
    {"1", "1", "0"},
    {"12", "-128", "0"},
    {"1234", "-32768", "0"},
    {"123456", "-2147483648", "0"},
    {"123456789012", "-9223372036854775808", "0"},
    {"1.5", "-1.25E10", "0.0"},
    {"1.5", "-1.25E10", "0.0"},
    {"1299.99", "-99999999.99", "0.00"},
    {"9999999999999999999999999999.9999999999", "-9999999999999999999999999999.9999999999",
     "0.0000000000"},
    {"Gr\xC3\xBC\xC3\x9F"
     "e",
     "\xF0\x9F\x98\x80 smile \xE2\x82\xAC and more than twelve bytes", ""},
    {"abc", "\xC3\xA9tage", ""},
    {"42", " -1.75 ", "2024-02-29"},
    {"0001FEFF", "0001FEFF", ""},
    {"2024-01-15", "0001-01-01", "1970-01-01"},
    {"12:34:56.789", "23:59:59.999", "00:00:00.000"},
    {"2024-01-15 10:34:56.789012", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00.000000"},
    {"2024-01-15 10:34:56.789012345", "1969-12-31 23:59:59.999999999",
     "1970-01-01 00:00:00.000000000"},
    {"2024-01-15 12:34:56.789 +02:00", "1969-12-31 23:59:59.999 UTC",
     "1970-01-01 00:00:00.000 UTC"},
    {"12:34:56-01:30", "23:59:59+00:00", "00:00:00+00:00"},
    {"1-6", "-2-1", "0-0"},
    {NULL, NULL, NULL},
    {"00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff",
     "00000000-0000-0000-0000-000000000000"},
    {"{\"a\":[1,2]}", "{\"a\":[1,2]}", "null"},
    {"[1,2,3]", "[2]", "[]"},
    {"(null)", "(null)", "(null)"},
};

static void as_text(void **state) {
    Link link;
    open3(&link);
    run_ok(&link, "types");
    for (int row = 0; row < 4; row++) {
        OK(odbc.SQLFetch(link.stmt));
        for (SQLUSMALLINT c = 25; c-- > 0;) { /* any order */
            const char *expected = row == 3 ? "(null)" : texts[c][row];
            if (expected) assert_string_equal(text_of(&link, (SQLUSMALLINT)(c + 1)), expected);
        }
    }
    assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
    FAILS(odbc.SQLGetData(link.stmt, 1, SQL_C_CHAR, (char[9]){0}, 9, NULL));
    STATE_IS(&link, "24000");
    link_close(&link);
}

/* ---- every type as every C type, three ways */

static const SQLSMALLINT ctypes[] = {
    SQL_C_CHAR,
    SQL_C_WCHAR,
    SQL_C_BINARY,
    SQL_C_BIT,
    SQL_C_TINYINT,
    SQL_C_STINYINT,
    SQL_C_UTINYINT,
    SQL_C_SHORT,
    SQL_C_SSHORT,
    SQL_C_USHORT,
    SQL_C_LONG,
    SQL_C_SLONG,
    SQL_C_ULONG,
    SQL_C_SBIGINT,
    SQL_C_UBIGINT,
    SQL_C_FLOAT,
    SQL_C_DOUBLE,
    SQL_C_NUMERIC,
    SQL_C_DATE,
    SQL_C_TIME,
    SQL_C_TIMESTAMP,
    SQL_C_TYPE_DATE,
    SQL_C_TYPE_TIME,
    SQL_C_TYPE_TIMESTAMP,
    SQL_C_GUID,
    SQL_C_INTERVAL_YEAR,
    SQL_C_INTERVAL_MONTH,
    SQL_C_INTERVAL_YEAR_TO_MONTH,
    SQL_C_INTERVAL_DAY,
    SQL_C_INTERVAL_HOUR,
    SQL_C_INTERVAL_MINUTE,
    SQL_C_INTERVAL_SECOND,
    SQL_C_INTERVAL_DAY_TO_HOUR,
    SQL_C_INTERVAL_DAY_TO_MINUTE,
    SQL_C_INTERVAL_DAY_TO_SECOND,
    SQL_C_INTERVAL_HOUR_TO_MINUTE,
    SQL_C_INTERVAL_HOUR_TO_SECOND,
    SQL_C_INTERVAL_MINUTE_TO_SECOND,
};
#define CTYPES (sizeof ctypes / sizeof *ctypes)
#define CELL   256

typedef struct Outcome {
    unsigned char data[CELL];
    SQLLEN indicator;
    char state[6];
} Outcome;

static Outcome by_getdata[4], by_column[4], by_row[4];
static SQLLEN capacity = CELL; /* of the application's buffers */

static void fetch_getdata(Link *link, SQLUSMALLINT column, SQLSMALLINT ctype) {
    run_ok(link, "types");
    for (int row = 0; row < 4; row++) {
        Outcome *out = &by_getdata[row];
        memset(out, 0, sizeof *out);
        OK(odbc.SQLFetch(link->stmt));
        SQLRETURN result =
            odbc.SQLGetData(link->stmt, column, ctype, out->data, capacity, &out->indicator);
        if (result != SQL_SUCCESS)
            snprintf(out->state, 6, "%s", diag_of(&odbc, SQL_HANDLE_STMT, link->stmt));
        if (result == SQL_ERROR) out->indicator = 0;
    }
    close_cursor(link);
}

/* A block of the four rows; a row that failed keeps what stood in its buffers. */
static void fetch_block(Link *link, SQLUSMALLINT column, SQLSMALLINT ctype, Outcome *out,
                        bool by_rows) {
    static struct {
        SQLLEN indicator;
        unsigned char data[CELL];
    } rows[4];
    static unsigned char cells[4 * CELL];
    static SQLLEN indicators[4];
    SQLUSMALLINT status[4];
    SQLLEN length = 0;
    size_t stride = (size_t)capacity;
    memset(rows, 0, sizeof rows);
    memset(cells, 0, sizeof cells);
    memset(indicators, 0, sizeof indicators);
    memset(out, 0, 4 * sizeof *out);
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)4, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_BIND_TYPE,
                           (SQLPOINTER)(by_rows ? sizeof rows[0] : 0), 0));
    if (by_rows)
        OK(odbc.SQLBindCol(link->stmt, column, ctype, rows[0].data, capacity, &rows[0].indicator));
    else
        OK(odbc.SQLBindCol(link->stmt, column, ctype, cells, capacity, indicators));
    run_ok(link, "types");
    SQLRETURN result = odbc.SQLFetch(link->stmt);
    SQLINTEGER records = 0;
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, 0, SQL_DIAG_NUMBER, &records, 0, NULL));
    const char *first = diag_of(&odbc, SQL_HANDLE_STMT, link->stmt);
    if (result == SQL_ERROR && strcmp(first, "07006") == 0) {
        for (int i = 0; i < 4; i++) memcpy(out[i].state, "07006", 6);
    } else {
        OK(odbc.SQLGetDescField(NULL, 0, 0, NULL, 0, NULL) == SQL_INVALID_HANDLE ? SQL_SUCCESS
                                                                                 : SQL_ERROR);
        for (SQLSMALLINT i = 1; i <= records; i++) {
            char state[6];
            SQLLEN row = 0;
            (void)odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link->stmt, i, (SQLCHAR *)state, NULL, NULL,
                                     0, NULL);
            OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, i, SQL_DIAG_ROW_NUMBER, &row, 0,
                                    NULL));
            if (row >= 1 && row <= 4) memcpy(out[row - 1].state, state, 6);
        }
        /* fixed C types stand as wide as they are, not as the buffer */
        if (!by_rows && ctype != SQL_C_CHAR && ctype != SQL_C_WCHAR && ctype != SQL_C_BINARY) {
            for (int i = 0; i < 4 && length == 0; i++)
                if (indicators[i] > 0) length = indicators[i];
            stride = length > 0 ? (size_t)length : CELL;
        }
        for (int i = 0; i < 4; i++) {
            bool failed = status[i] == SQL_ROW_ERROR;
            out[i].indicator = failed ? 0 : by_rows ? rows[i].indicator : indicators[i];
            size_t bytes = stride < CELL ? stride : CELL;
            memcpy(out[i].data, by_rows ? rows[i].data : cells + (size_t)i * stride,
                   by_rows ? CELL : bytes);
        }
    }
    close_cursor(link);
    OK(odbc.SQLFreeStmt(link->stmt, SQL_UNBIND));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)0, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_STATUS_PTR, NULL, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)1, 0));
}

static void outcome_same(const Outcome *a, const Outcome *b, const char *how, int column, int ctype,
                         int row) {
    if (strcmp(a->state, b->state) != 0)
        fail_msg("%s: column %d as %d, row %d: '%s' and '%s'", how, column, ctype, row, a->state,
                 b->state);
    if (a->indicator != b->indicator)
        fail_msg("%s: column %d as %d, row %d: lengths %ld and %ld", how, column, ctype, row,
                 (long)a->indicator, (long)b->indicator);
    size_t n = a->indicator > 0 ? (size_t)a->indicator : 0;
    if (n > (size_t)capacity) n = (size_t)capacity;
    if (memcmp(a->data, b->data, n) != 0)
        fail_msg("%s: column %d as %d, row %d: data differ", how, column, ctype, row);
}

static uint64_t mix(uint64_t hash, const void *data, size_t n) {
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Conversions whose result depends on today's date. */
static bool is_today(int column, SQLSMALLINT ctype) {
    return (column == 15 || column == 19) &&
           (ctype == SQL_C_TIMESTAMP || ctype == SQL_C_TYPE_TIMESTAMP);
}

static uint64_t all_conversions(void) {
    Link link;
    uint64_t hash = UINT64_C(14695981039346656037);
    open3(&link);
    for (SQLUSMALLINT column = 1; column <= 25; column++) {
        for (size_t t = 0; t < CTYPES; t++) {
            fetch_getdata(&link, column, ctypes[t]);
            fetch_block(&link, column, ctypes[t], by_column, false);
            fetch_block(&link, column, ctypes[t], by_row, true);
            bool none = strcmp(by_column[0].state, "07006") == 0;
            for (int row = 0; row < (none ? 3 : 4); row++) {
                outcome_same(&by_getdata[row], &by_column[row], "by column", column, ctypes[t],
                             row);
                outcome_same(&by_getdata[row], &by_row[row], "by row", column, ctypes[t], row);
                if (!is_today(column, ctypes[t]))
                    hash = mix(hash, &by_getdata[row], sizeof(Outcome));
            }
        }
    }
    link_close(&link);
    return hash;
}

static void three_ways(void **state) {
    (void)all_conversions();
}

/* Numbers, dates and times as text into buffers of every size: whole digits must fit (22003), a
 * fraction is cut (01004), the same in all three ways. */
static void short_buffers(void **state) {
    static const SQLUSMALLINT columns[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17};
    static const SQLSMALLINT texts_as[] = {SQL_C_CHAR, SQL_C_WCHAR};
    Link link;
    open3(&link);
    for (capacity = 1; capacity <= 64; capacity++) {
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
            for (size_t t = 0; t < 2; t++) {
                fetch_getdata(&link, columns[c], texts_as[t]);
                fetch_block(&link, columns[c], texts_as[t], by_column, false);
                fetch_block(&link, columns[c], texts_as[t], by_row, true);
                for (int row = 0; row < 4; row++) {
                    outcome_same(&by_getdata[row], &by_column[row], "by column", columns[c],
                                 texts_as[t], row);
                    outcome_same(&by_getdata[row], &by_row[row], "by row", columns[c], texts_as[t],
                                 row);
                }
            }
        }
    }
    capacity = CELL;
    link_close(&link);
}

static void locales(void **state) {
    static const char *const names[] = {"C", "de_DE.UTF-8", "de_DE.ISO-8859-1", "tr_TR.UTF-8"};
    uint64_t without = all_conversions();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!setlocale(LC_ALL, names[i])) continue;
        uint64_t hash = all_conversions();
        setlocale(LC_ALL, "C");
        if (hash != without) fail_msg("other bytes in %s", names[i]);
    }
}

/* ---- single conversions and their states */

static void numbers(void **state) {
    Link link;
    SQL_NUMERIC_STRUCT numeric;
    SQL_TIMESTAMP_STRUCT stamp;
    SQL_DATE_STRUCT date;
    SQL_TIME_STRUCT time;
    SQL_INTERVAL_STRUCT interval;
    SQLINTEGER i;
    signed char tiny;
    double d;
    char text[64];
    SQLLEN n;
    SQLGUID guid;
    open3(&link);
    run_ok(&link, "types");
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLGetData(link.stmt, 8, SQL_C_NUMERIC, &numeric, sizeof numeric, &n));
    assert_int_equal(numeric.scale, 2);
    assert_int_equal(numeric.sign, 1);
    assert_int_equal(numeric.val[0] | numeric.val[1] << 8 | numeric.val[2] << 16, 129999);
    INFO(odbc.SQLGetData(link.stmt, 8, SQL_C_SLONG, &i, sizeof i, &n));
    STATE_IS(&link, "01S07");
    assert_int_equal(i, 1299);
    FAILS(odbc.SQLGetData(link.stmt, 8, SQL_C_STINYINT, &tiny, sizeof tiny, &n));
    STATE_IS(&link, "22003");
    OK(odbc.SQLGetData(link.stmt, 8, SQL_C_DOUBLE, &d, sizeof d, &n));
    assert_true(d == 1299.99);
    INFO(odbc.SQLGetData(link.stmt, 8, SQL_C_CHAR, text, 6, &n)); /* the fraction may go */
    STATE_IS(&link, "01004");
    assert_string_equal(text, "1299.");
    FAILS(odbc.SQLGetData(link.stmt, 5, SQL_C_CHAR, text, 6, &n)); /* whole digits may not */
    STATE_IS(&link, "22003");
    FAILS(odbc.SQLGetData(link.stmt, 14, SQL_C_CHAR, text, 10, &n));
    STATE_IS(&link, "22003");
    FAILS(odbc.SQLGetData(link.stmt, 10, SQL_C_SLONG, &i, sizeof i, &n));
    STATE_IS(&link, "22018");
    FAILS(odbc.SQLGetData(link.stmt, 14, SQL_C_SLONG, &i, sizeof i, &n));
    STATE_IS(&link, "07006");
    FAILS(odbc.SQLGetData(link.stmt, 14, 4711, &i, sizeof i, &n));
    STATE_IS(&link, "HY003");
    FAILS(odbc.SQLGetData(link.stmt, 26, SQL_C_CHAR, text, 6, &n));
    STATE_IS(&link, "07009");
    FAILS(odbc.SQLGetData(link.stmt, 1, SQL_C_CHAR, NULL, 6, &n));
    STATE_IS(&link, "HY009");
    FAILS(odbc.SQLGetData(link.stmt, 1, SQL_C_CHAR, text, -1, &n));
    STATE_IS(&link, "HY090");
    OK(odbc.SQLGetData(link.stmt, 16, SQL_C_TYPE_TIMESTAMP, &stamp, sizeof stamp, &n));
    assert_int_equal(stamp.fraction, 789012000);
    OK(odbc.SQLGetData(link.stmt, 17, SQL_C_TYPE_TIMESTAMP, &stamp, sizeof stamp, &n));
    assert_int_equal(stamp.fraction, 789012345);
    OK(odbc.SQLGetData(link.stmt, 18, SQL_C_TYPE_TIMESTAMP, &stamp, sizeof stamp, &n));
    assert_int_equal(stamp.hour, 12); /* the wall clock of the value's own zone */
    INFO(odbc.SQLGetData(link.stmt, 16, SQL_C_TYPE_DATE, &date, sizeof date, &n));
    STATE_IS(&link, "01S07");
    assert_int_equal(date.day, 15);
    INFO(odbc.SQLGetData(link.stmt, 16, SQL_C_TYPE_TIME, &time, sizeof time, &n));
    assert_int_equal(time.minute, 34);
    OK(odbc.SQLGetData(link.stmt, 20, SQL_C_INTERVAL_YEAR_TO_MONTH, &interval, sizeof interval,
                       &n));
    assert_int_equal(interval.intval.year_month.year, 1);
    assert_int_equal(interval.intval.year_month.month, 6);
    OK(odbc.SQLGetData(link.stmt, 21, SQL_C_INTERVAL_DAY_TO_SECOND, &interval, sizeof interval,
                       &n));
    assert_int_equal(interval.intval.day_second.day, 2);
    assert_int_equal(interval.intval.day_second.second, 5);
    assert_int_equal(interval.intval.day_second.fraction, 678000);
    INFO(odbc.SQLGetData(link.stmt, 21, SQL_C_INTERVAL_HOUR, &interval, sizeof interval, &n));
    assert_int_equal(interval.intval.day_second.hour, 51);
    OK(odbc.SQLGetData(link.stmt, 22, SQL_C_GUID, &guid, sizeof guid, &n));
    assert_int_equal(guid.Data1, 0x00112233);
    OK(odbc.SQLGetData(link.stmt, 12, SQL_C_SLONG, &i, sizeof i, &n));
    assert_int_equal(i, 42);
    OK(odbc.SQLFetch(link.stmt));
    INFO(odbc.SQLGetData(link.stmt, 12, SQL_C_SLONG, &i, sizeof i, &n));
    assert_int_equal(i, -1);
    INFO(odbc.SQLGetData(link.stmt, 21, SQL_C_INTERVAL_SECOND, &interval, sizeof interval, &n) ==
                 SQL_SUCCESS
             ? SQL_SUCCESS_WITH_INFO
             : SQL_ERROR);
    assert_int_equal(interval.interval_sign, SQL_TRUE);
    assert_int_equal(interval.intval.day_second.fraction, 1);
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLGetData(link.stmt, 12, SQL_C_TYPE_DATE, &date, sizeof date, &n));
    assert_int_equal(date.month, 2);
    OK(odbc.SQLFetch(link.stmt));
    FAILS(odbc.SQLGetData(link.stmt, 1, SQL_C_CHAR, text, sizeof text, NULL));
    STATE_IS(&link, "22002");
    link_close(&link);
}

/* ---- parts */

static void take_parts(Link *link, const char *whole, SQLSMALLINT ctype, size_t size) {
    static unsigned char got[1 << 17];
    static SQLWCHAR expected_wide[1 << 16];
    unsigned char part[600];
    size_t have = 0, unit = ctype == SQL_C_WCHAR ? 2 : 1, total;
    const void *expected = whole;
    total = strlen(whole);
    if (ctype == SQL_C_WCHAR) {
        size_t n = 0;
        for (const unsigned char *p = (const unsigned char *)whole; *p;) {
            uint32_t c = *p < 0x80 ? *p : *p < 0xE0 ? *p & 31 : *p < 0xF0 ? *p & 15 : *p & 7;
            int more = *p < 0x80 ? 0 : *p < 0xE0 ? 1 : *p < 0xF0 ? 2 : 3;
            for (p++; more-- > 0; p++) c = c << 6 | (*p & 63);
            if (c >= 0x10000) {
                expected_wide[n++] = (SQLWCHAR)(0xD800 + ((c - 0x10000) >> 10));
                expected_wide[n++] = (SQLWCHAR)(0xDC00 + (c & 0x3FF));
            } else {
                expected_wide[n++] = (SQLWCHAR)c;
            }
        }
        expected = expected_wide;
        total = n * 2;
    }
    OK(odbc.SQLFetch(link->stmt));
    size_t terminator = ctype == SQL_C_BINARY ? 0 : unit;
    for (;;) {
        SQLLEN length = -99;
        memset(part, 0xAA, sizeof part);
        SQLRETURN result = odbc.SQLGetData(link->stmt, 1, ctype, part, (SQLLEN)size, &length);
        assert_int_equal(length, total - have);
        size_t room = (size / unit) * unit - terminator,
               n = total - have < room ? total - have : room;
        memcpy(got + have, part, n);
        have += n;
        for (size_t i = 0; i < terminator; i++) assert_int_equal(part[n + i], 0);
        assert_int_equal(part[n + terminator], 0xAA);
        if (result == SQL_SUCCESS) break;
        INFO(result);
        STATE_IS(link, "01004");
    }
    assert_int_equal(have, total);
    assert_memory_equal(got, expected, total);
    assert_int_equal(odbc.SQLGetData(link->stmt, 1, ctype, part, sizeof part, NULL), SQL_NO_DATA);
    close_cursor(link);
}

static void parts(void **state) {
    Link link;
    char sql[64], whole[20000];
    static const char *const units[] = {"x", "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
                                        "\xF0\x9F\x98\x80"};
    static const size_t sizes[] = {4, 5, 6, 7, 10, 64, 301, 512};
    open3(&link);
    for (size_t u = 0; u < 3; u++) {
        for (int count = 1; count <= 400; count = count * 7 + 1) {
            whole[0] = 0;
            for (int i = 0; i < count; i++) strcat(whole, units[u]);
            snprintf(sql, sizeof sql, "repeat %d %s", count, units[u]);
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                run_ok(&link, sql);
                take_parts(&link, whole, SQL_C_CHAR, sizes[s]);
                run_ok(&link, sql);
                take_parts(&link, whole, SQL_C_WCHAR, sizes[s]);
                run_ok(&link, sql);
                take_parts(&link, whole, SQL_C_BINARY, sizes[s]);
            }
        }
    }
    /* the length alone, then the value; another column in between begins anew */
    SQLLEN length;
    char text[20];
    run_ok(&link, "types");
    OK(odbc.SQLFetch(link.stmt));
    INFO(odbc.SQLGetData(link.stmt, 10, SQL_C_CHAR, text, 0, &length));
    assert_int_equal(length, 7);
    INFO(odbc.SQLGetData(link.stmt, 10, SQL_C_CHAR, text, 3, &length));
    OK(odbc.SQLGetData(link.stmt, 11, SQL_C_CHAR, text, sizeof text, &length));
    OK(odbc.SQLGetData(link.stmt, 10, SQL_C_CHAR, text, sizeof text, &length));
    assert_int_equal(length, 7);
    OK(odbc.SQLGetData(link.stmt, 4, SQL_C_SLONG, text, 4, &length));
    assert_int_equal(odbc.SQLGetData(link.stmt, 4, SQL_C_SLONG, text, 4, &length), SQL_NO_DATA);
    link_close(&link);
}

static void cut_when_bound(void **state) {
    Link link;
    SQLWCHAR wide_text[4];
    char text[4];
    SQLLEN n[2];
    open3(&link);
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_CHAR, text, 4, &n[0]));
    run_ok(&link, "text \xE2\x82\xAC\xE2\x82\xAC");
    INFO(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "01004");
    assert_string_equal(text, "\xE2\x82\xAC");
    assert_int_equal(n[0], 6);
    close_cursor(&link);
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_WCHAR, wide_text, 8, &n[0]));
    run_ok(&link, "text ab\xF0\x9F\x98\x80");
    INFO(odbc.SQLFetch(link.stmt));
    assert_int_equal(n[0], 8);
    assert_int_equal(wide_text[2], 0); /* no half of a pair */
    link_close(&link);
}

/* ---- rowsets across batches */

static void check_row(int64_t r, SQLINTEGER i, SQLBIGINT b, double d, const char *s, SQLLEN n) {
    char text[64];
    snprintf(text, sizeof text, r % 3 ? "row %lld" : "row number %lld of the canned table",
             (long long)r);
    assert_int_equal(i, r);
    assert_int_equal(b, r * 1000003);
    assert_true(d == (double)r / 4);
    if (r % 7 == 6) {
        assert_int_equal(n, SQL_NULL_DATA);
    } else {
        assert_string_equal(s, text);
        assert_int_equal(n, strlen(text));
    }
}

typedef struct BoundRow {
    SQLINTEGER i;
    SQLBIGINT b;
    double d;
    char s[40];
    SQLLEN n;
} BoundRow;

static void rowsets(void **state) {
    static const int sizes[] = {1, 7, 100, 1000, 3000}, batches[] = {1, 3, 64, 2048};
    static BoundRow rows[3000];
    static SQLUSMALLINT status[3000];
    SQLULEN fetched;
    Link link;
    char sql[64];
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_BIND_TYPE, (SQLPOINTER)sizeof(BoundRow), 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_STATUS_PTR, status, 0));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, &rows[0].i, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 2, SQL_C_SBIGINT, &rows[0].b, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 3, SQL_C_DOUBLE, &rows[0].d, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 5, SQL_C_CHAR, rows[0].s, sizeof rows[0].s, &rows[0].n));
    for (size_t z = 0; z < 5; z++) {
        for (size_t k = 0; k < 4; k++) {
            OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_ARRAY_SIZE,
                                   (SQLPOINTER)(intptr_t)sizes[z], 0));
            snprintf(sql, sizeof sql, "numbers 4321 %d", batches[k]);
            run_ok(&link, sql);
            int64_t r = 0;
            SQLRETURN result;
            while ((result = odbc.SQLFetchScroll(link.stmt, SQL_FETCH_NEXT, 0)) == SQL_SUCCESS) {
                SQLULEN expected = 4321 - r < sizes[z] ? (SQLULEN)(4321 - r) : (SQLULEN)sizes[z];
                assert_int_equal(fetched, expected);
                for (SQLULEN j = 0; j < fetched; j++, r++)
                    check_row(r, rows[j].i, rows[j].b, rows[j].d, rows[j].s, rows[j].n);
                for (int j = (int)fetched; j < sizes[z]; j++)
                    assert_int_equal(status[j], SQL_ROW_NOROW);
                if (sizes[z] > 1 &&
                    fetched > 2) { /* any row of the rowset, also of a batch that is gone */
                    for (SQLULEN j = fetched; j > 0; j -= j > 37 ? 37 : j) {
                        char text[40];
                        SQLLEN n;
                        OK(odbc.SQLSetPos(link.stmt, j, SQL_POSITION, SQL_LOCK_NO_CHANGE));
                        OK(odbc.SQLGetData(link.stmt, 5, SQL_C_CHAR, text, sizeof text, &n));
                        int64_t row = r - (int64_t)fetched + (int64_t)j - 1;
                        check_row(row, (SQLINTEGER)row, row * 1000003, (double)row / 4, text, n);
                        OK(odbc.SQLGetData(link.stmt, 4, SQL_C_CHAR, text, sizeof text, &n));
                        char number[40];
                        snprintf(number, sizeof number, "%lld.%02lld", (long long)row / 100,
                                 (long long)row % 100);
                        assert_string_equal(text, number);
                    }
                }
            }
            assert_int_equal(result, SQL_NO_DATA);
            assert_int_equal(r, 4321);
            assert_int_equal(fetched, 0);
            close_cursor(&link);
        }
    }
    FAILS(odbc.SQLSetPos(link.stmt, 1, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    link_close(&link);
}

static void forms(void **state) {
    SQLINTEGER constant[700];
    char words[700][8], holes[700][8];
    SQLLEN n[700], h[700];
    static const char *const expected[] = {"zero", "one", "two"};
    Link link;
    SQLULEN fetched;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)700, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROWS_FETCHED_PTR, &fetched, 0));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, constant, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 2, SQL_C_CHAR, words, 8, n));
    OK(odbc.SQLBindCol(link.stmt, 3, SQL_C_CHAR, holes, 8, h));
    run_ok(&link, "forms 5000");
    int r = 0;
    while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) {
        for (SQLULEN j = 0; j < fetched; j++, r++) {
            assert_int_equal(constant[j], 7);
            assert_string_equal(words[j], expected[r % 3]);
            if (r % 5)
                assert_string_equal(holes[j], expected[r % 3]);
            else
                assert_int_equal(h[j], SQL_NULL_DATA);
        }
    }
    assert_int_equal(r, 5000);
    link_close(&link);
}

static void options(void **state) {
    Link link;
    SQLINTEGER value[4] = {-1, -1, -1, -1};
    SQLLEN offset = 0, n;
    char text[64];
    int rows = 0;
    open3(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)3, 0));
    run_ok(&link, "numbers 10");
    while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) rows++;
    assert_int_equal(rows, 3);
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_MAX_ROWS, (SQLPOINTER)0, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_MAX_LENGTH, (SQLPOINTER)4, 0));
    run_ok(&link, "text Gr\xC3\xBC\xC3\x9F"
                  "e");
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLGetData(link.stmt, 1, SQL_C_CHAR, text, sizeof text, &n));
    assert_string_equal(text, "Gr\xC3\xBC");
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_MAX_LENGTH, (SQLPOINTER)0, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, &offset, 0));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_SLONG, value, 0, NULL));
    run_ok(&link, "numbers 10");
    for (int i = 0; i < 4; i++) {
        offset = i * (SQLLEN)sizeof value[0];
        OK(odbc.SQLFetch(link.stmt));
    }
    for (int i = 0; i < 4; i++) assert_int_equal(value[i], i);
    SQLULEN row_number;
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_ROW_NUMBER, &row_number, 0, NULL));
    assert_int_equal(row_number, 4);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_RETRIEVE_DATA, (SQLPOINTER)SQL_RD_OFF, 0));
    value[3] = 77;
    OK(odbc.SQLFetch(link.stmt));
    assert_int_equal(value[3], 77);
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_RETRIEVE_DATA, (SQLPOINTER)SQL_RD_ON, 0));
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_BIND_OFFSET_PTR, NULL, 0));
    FAILS(run(&link, "failexec"));
    STATE_IS(&link, "22012");
    run_ok(&link, "failfetch 3");
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    FAILS(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "08S01");
    close_cursor(&link);
    OK(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_ROW_ARRAY_SIZE, (SQLPOINTER)4, 0));
    run_ok(&link, "failfetch 3"); /* in the middle of a rowset: an error, not a short rowset */
    FAILS(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "08S01");
    close_cursor(&link);
    FAILS(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_PRIOR, 0));
    run_ok(&link, "numbers 3");
    FAILS(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_PRIOR, 0));
    STATE_IS(&link, "HY106");
    link_close(&link);
}

static void numeric_by_descriptor(void **state) {
    Link link;
    SQL_NUMERIC_STRUCT numeric;
    SQLHDESC ard;
    SQLLEN n;
    open3(&link);
    OK(odbc.SQLGetStmtAttr(link.stmt, SQL_ATTR_APP_ROW_DESC, &ard, 0, NULL));
    OK(odbc.SQLBindCol(link.stmt, 8, SQL_C_NUMERIC, &numeric, sizeof numeric, &n));
    OK(odbc.SQLSetDescField(ard, 8, SQL_DESC_PRECISION, (SQLPOINTER)9, 0));
    OK(odbc.SQLSetDescField(ard, 8, SQL_DESC_SCALE, (SQLPOINTER)1, 0));
    OK(odbc.SQLSetDescField(ard, 8, SQL_DESC_DATA_PTR, &numeric, 0));
    run_ok(&link, "types");
    INFO(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "01S07");
    assert_int_equal(numeric.precision, 9);
    assert_int_equal(numeric.scale, 1);
    assert_int_equal(numeric.val[0] | numeric.val[1] << 8, 12999);
    INFO(odbc.SQLFetch(link.stmt));
    assert_int_equal(numeric.sign, 0);
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_text),
        cmocka_unit_test(three_ways),
        cmocka_unit_test(short_buffers),
        cmocka_unit_test(locales),
        cmocka_unit_test(numbers),
        cmocka_unit_test(parts),
        cmocka_unit_test(cut_when_bound),
        cmocka_unit_test(rowsets),
        cmocka_unit_test(forms),
        cmocka_unit_test(options),
        cmocka_unit_test(numeric_by_descriptor),
    };
    return cmocka_run_group_tests_name("driver conversions", tests, load, NULL);
}
