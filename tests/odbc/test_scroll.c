/*
 * test_scroll.c - static cursors: the positioning rules case by case, random walks against a model, in
 * memory and spilled, over listings too; bookmarks, SQLSetPos, SQLExtendedFetch, row status, the attributes.
 *
 * Row number n of the query holds n, and a text of it that is NULL for every seventh.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

#define ROWS  10000
#define MAX_R 3000

static const char query[] =
    "WITH d AS (SELECT x FROM (VALUES 0,1,2,3,4,5,6,7,8,9) t(x)), n AS (SELECT a.x * 1000 + b.x * "
    "100 + "
    "c.x * 10 + d.x + 1 AS i FROM d a CROSS JOIN d b CROSS JOIN d c CROSS JOIN d) SELECT i, CASE "
    "WHEN i % "
    "7 = 0 THEN NULL ELSE 'row number ' || CAST(i AS varchar) END AS s FROM n ORDER BY i";

static Odbc odbc;
static char config[] = "/tmp/tributary_config_XXXXXX";
static char connection[500], spilled[600];

static int load(void **state) {
    static const char text[] = "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" } } }\n";
    file_new(config, text);
    connection_string(connection, sizeof connection, config, CONNECTOR_PATH, "memory");
    snprintf(spilled, sizeof spilled, "%s;ForceSpill=on", connection);
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    unlink(config);
    return 0;
}

static void set(Link *link, SQLINTEGER attribute, SQLULEN value) {
    OK(odbc.SQLSetStmtAttr(link->stmt, attribute, (SQLPOINTER)(uintptr_t)value, 0));
}

static SQLULEN get(Link *link, SQLINTEGER attribute) {
    SQLULEN value = 99;
    OK(odbc.SQLGetStmtAttr(link->stmt, attribute, &value, 0, NULL));
    return value;
}

static void open_static(Link *link, const char *string, SQLULEN version) {
    link_open(link, &odbc, version, string, false);
    set(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
}

/* ---- rowsets of bound columns */

typedef struct Rowset {
    SQLINTEGER i[MAX_R];
    char s[MAX_R][24];
    SQLLEN length[MAX_R];
    SQLUSMALLINT status[MAX_R];
    SQLULEN fetched;
} Rowset;

static void rowset_bind(Link *link, Rowset *rowset) {
    OK(odbc.SQLBindCol(link->stmt, 1, SQL_C_LONG, rowset->i, 0, NULL));
    OK(odbc.SQLBindCol(link->stmt, 2, SQL_C_CHAR, rowset->s, sizeof rowset->s[0], rowset->length));
    set(link, SQL_ATTR_ROW_STATUS_PTR, (SQLULEN)(uintptr_t)rowset->status);
    set(link, SQL_ATTR_ROWS_FETCHED_PTR, (SQLULEN)(uintptr_t)&rowset->fetched);
}

/* Does the rowset of `size` hold the rows from `start` on of a result of `total`? */
static void rowset_holds(Link *link, const Rowset *rowset, uint64_t start, uint64_t size,
                         uint64_t total) {
    uint64_t rows = total - start + 1 < size ? total - start + 1 : size;
    char text[30];
    assert_int_equal(rowset->fetched, rows);
    assert_int_equal(get(link, SQL_ATTR_ROW_NUMBER), start);
    for (uint64_t r = 0; r < size; r++) {
        assert_int_equal(rowset->status[r], r < rows ? SQL_ROW_SUCCESS : SQL_ROW_NOROW);
        if (r >= rows) continue;
        assert_int_equal(rowset->i[r], start + r);
        snprintf(text, sizeof text, "row number %d", (int)(start + r));
        if ((start + r) % 7 == 0)
            assert_int_equal(rowset->length[r], SQL_NULL_DATA);
        else
            assert_string_equal(rowset->s[r], text);
    }
}

/* ---- the rules, case by case */

typedef struct Case {
    SQLSMALLINT orientation;
    SQLLEN offset;
    SQLULEN size;
    int start; /* 0: SQL_NO_DATA; < 0: with 01S06 */
} Case;

/* One after the other, over ten rows. */
static const Case cases[] = {
    {SQL_FETCH_PRIOR, 0, 3, 0}, /* before the first row already */
    {SQL_FETCH_RELATIVE, -1, 3, 0},  {SQL_FETCH_RELATIVE, 0, 3, 0},
    {SQL_FETCH_RELATIVE, 4, 3, 4},                               /* as ABSOLUTE 4 */
    {SQL_FETCH_NEXT, 0, 3, 7},       {SQL_FETCH_NEXT, 0, 3, 10}, /* one row */
    {SQL_FETCH_NEXT, 0, 3, 0},       {SQL_FETCH_NEXT, 0, 3, 0},
    {SQL_FETCH_RELATIVE, 2, 3, 0},                               /* behind the last row */
    {SQL_FETCH_RELATIVE, -2, 3, 9},                              /* as ABSOLUTE -2 */
    {SQL_FETCH_ABSOLUTE, 11, 3, 0},  {SQL_FETCH_PRIOR, 0, 3, 8}, /* the last three */
    {SQL_FETCH_PRIOR, 0, 3, 5},      {SQL_FETCH_PRIOR, 0, 3, 2},
    {SQL_FETCH_PRIOR, 0, 3, -1}, /* would begin before the first row */
    {SQL_FETCH_PRIOR, 0, 3, 0},      {SQL_FETCH_NEXT, 0, 3, 1},
    {SQL_FETCH_NEXT, 0, 5, 4}, /* three rows on: the size of the rowset before */
    {SQL_FETCH_PRIOR, 0, 2, 2},      {SQL_FETCH_RELATIVE, -1, 4, 1},
    {SQL_FETCH_RELATIVE, -1, 4, 0},  {SQL_FETCH_ABSOLUTE, 3, 4, 3},
    {SQL_FETCH_RELATIVE, -3, 4, -1}, {SQL_FETCH_ABSOLUTE, 3, 4, 3},
    {SQL_FETCH_RELATIVE, -5, 4, 0},  {SQL_FETCH_LAST, 0, 4, 7},
    {SQL_FETCH_RELATIVE, 0, 4, 7},   {SQL_FETCH_RELATIVE, 3, 4, 10},
    {SQL_FETCH_RELATIVE, 1, 4, 0},   {SQL_FETCH_LAST, 0, 20, 1},
    {SQL_FETCH_ABSOLUTE, -10, 4, 1}, {SQL_FETCH_ABSOLUTE, -11, 20, -1},
    {SQL_FETCH_ABSOLUTE, -11, 4, 0}, {SQL_FETCH_ABSOLUTE, -1, 4, 10},
    {SQL_FETCH_FIRST, 0, 4, 1},      {SQL_FETCH_ABSOLUTE, 0, 4, 0},
    {SQL_FETCH_NEXT, 0, 4, 1},       {SQL_FETCH_ABSOLUTE, 1000000, 4, 0},
    {SQL_FETCH_PRIOR, 0, 20, -1},
};

static void rules(void **state) {
    static Rowset rowset;
    for (int extended = 0; extended < 2; extended++) {
        Link link;
        open_static(&link, connection, SQL_OV_ODBC3);
        rowset_bind(&link, &rowset);
        char ten[sizeof query + 20];
        snprintf(ten, sizeof ten, "%s LIMIT 10", query);
        run_ok(&link, ten);
        for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
            const Case *test = &cases[c];
            SQLRETURN result;
            set(&link, extended ? SQL_ROWSET_SIZE : SQL_ATTR_ROW_ARRAY_SIZE, test->size);
            result = extended ? odbc.SQLExtendedFetch(link.stmt, (SQLUSMALLINT)test->orientation,
                                                      test->offset, &rowset.fetched, rowset.status)
                              : odbc.SQLFetchScroll(link.stmt, test->orientation, test->offset);
            if (test->start == 0) {
                assert_int_equal(result, SQL_NO_DATA);
                continue;
            }
            assert_int_equal(result, test->start < 0 ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS);
            if (test->start < 0) STATE_IS(&link, "01S06");
            rowset_holds(&link, &rowset, (uint64_t)abs(test->start), test->size, 10);
        }
        link_close(&link);
    }
}

static void no_rows(void **state) {
    static const SQLSMALLINT all[] = {SQL_FETCH_NEXT,  SQL_FETCH_FIRST,    SQL_FETCH_LAST,
                                      SQL_FETCH_PRIOR, SQL_FETCH_ABSOLUTE, SQL_FETCH_RELATIVE};
    Link link;
    open_static(&link, connection, SQL_OV_ODBC3);
    run_ok(&link, "SELECT x FROM (VALUES 1) t(x) WHERE x > 1");
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            assert_int_equal(odbc.SQLFetchScroll(link.stmt, all[i], 1), SQL_NO_DATA);
    link_close(&link);
}

/* ---- random walks */

/* The specification's tables once more, with everything known. 0: before, total + 1: behind. */
static int64_t model(int64_t at, int64_t previous, SQLSMALLINT orientation, int64_t offset,
                     int64_t size, int64_t total) {
    int64_t to;
    bool on = at >= 1 && at <= total;
    switch (orientation) {
    case SQL_FETCH_NEXT: to = at == 0 ? 1 : on ? at + previous : total + 1; break;
    case SQL_FETCH_PRIOR:
        to = on ? at - size : at == 0 ? 0 : total - size + 1;
        if (at == 1) return 0;
        if (at != 0 && to < 1) to = 1;
        break;
    case SQL_FETCH_FIRST: to = 1; break;
    case SQL_FETCH_LAST: to = total > size ? total - size + 1 : 1; break;
    case SQL_FETCH_RELATIVE:
        if (on) {
            to = at + offset;
            if (to < 1 && at > 1 && -offset <= size) to = 1;
            break;
        }
        if (at == 0 && offset <= 0) return 0;
        if (at > total && offset >= 0) return total + 1;
        /* fall through */
    default:
        to = offset < 0 ? total + offset + 1 : offset;
        if (offset < 0 && to < 1 && -offset <= size) to = 1;
        break;
    }
    return to < 1 ? 0 : to > total ? total + 1 : to;
}

static void walk(const char *string, int64_t total, unsigned seed, bool all_bound) {
    static const SQLSMALLINT all[] = {SQL_FETCH_NEXT,     SQL_FETCH_NEXT,     SQL_FETCH_PRIOR,
                                      SQL_FETCH_RELATIVE, SQL_FETCH_ABSOLUTE, SQL_FETCH_FIRST,
                                      SQL_FETCH_LAST};
    static Rowset rowset;
    Link link;
    char limited[sizeof query + 40];
    int64_t at = 0, previous = 1;
    srandom(seed);
    open_static(&link, string, SQL_OV_ODBC3);
    rowset_bind(&link, &rowset);
    if (!all_bound) OK(odbc.SQLBindCol(link.stmt, 2, SQL_C_CHAR, NULL, 0, NULL));
    snprintf(limited, sizeof limited, "%s LIMIT %d", query, (int)total);
    run_ok(&link, limited);
    for (int step = 0; step < 150; step++) {
        int64_t size = random() % 4 ? 1 + random() % 40 : 1 + random() % MAX_R;
        SQLSMALLINT orientation = all[random() % (sizeof all / sizeof all[0])];
        int64_t offset = random() % 3 ? random() % 60 - 30 : random() % (3 * total) - total - 10;
        set(&link, SQL_ATTR_ROW_ARRAY_SIZE, (SQLULEN)size);
        int64_t to = model(at, previous, orientation, offset, size, total);
        SQLRETURN result = odbc.SQLFetchScroll(link.stmt, orientation, offset);
        at = to;
        previous = size;
        if (to < 1 || to > total) {
            assert_int_equal(result, SQL_NO_DATA);
            continue;
        }
        assert_true(SQL_SUCCEEDED(result));
        if (all_bound) {
            rowset_holds(&link, &rowset, (uint64_t)to, (uint64_t)size, (uint64_t)total);
            continue;
        }
        int64_t row = 1 + random() % (int64_t)rowset.fetched; /* also of batches that are gone */
        char text[30];
        snprintf(text, sizeof text, "row number %d", (int)(to + row - 1));
        OK(odbc.SQLSetPos(link.stmt, (SQLSETPOSIROW)row, SQL_POSITION, SQL_LOCK_NO_CHANGE));
        assert_string_equal(text_of(&link, 2), (to + row - 1) % 7 == 0 ? "(null)" : text);
    }
    link_close(&link);
}

static void walks(void **state) {
    static const int64_t totals[] = {1, 7, 2047, 2048, 2049, ROWS};
    for (size_t t = 0; t < sizeof totals / sizeof totals[0]; t++) {
        for (unsigned seed = 1; seed <= 3; seed++) {
            walk(connection, totals[t], seed, true);
            walk(connection, totals[t], seed, false);
            walk(spilled, totals[t], seed, true);
            walk(spilled, totals[t], seed, false);
        }
    }
}

/* ---- what MAX_ROWS leaves */

static void max_rows(void **state) {
    static Rowset rowset;
    Link link;
    open_static(&link, connection, SQL_OV_ODBC3);
    rowset_bind(&link, &rowset);
    set(&link, SQL_ATTR_MAX_ROWS, 2500);
    set(&link, SQL_ATTR_ROW_ARRAY_SIZE, 10);
    run_ok(&link, query);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    rowset_holds(&link, &rowset, 2491, 10, 2500);
    assert_int_equal(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 2501), SQL_NO_DATA);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 2499));
    rowset_holds(&link, &rowset, 2499, 10, 2500);
    link_close(&link);
}

/* ---- catalog functions scroll too */

static void listings(void **state) {
    Link link;
    open_static(&link, connection, SQL_OV_ODBC3);
    OK(odbc.SQLGetTypeInfo(link.stmt, SQL_ALL_TYPES));
    char first[100], last[100];
    OK(odbc.SQLFetch(link.stmt));
    snprintf(first, sizeof first, "%s", text_of(&link, 1));
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    snprintf(last, sizeof last, "%s", text_of(&link, 1));
    assert_string_not_equal(first, last);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 1));
    assert_string_equal(text_of(&link, 1), first);
    assert_int_equal(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_PRIOR, 0), SQL_NO_DATA);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, -1));
    assert_string_equal(text_of(&link, 1), last);
    OK(odbc.SQLCloseCursor(link.stmt));
    run_ok(&link, "SHOW SESSION"); /* rows that no execution makes */
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    snprintf(last, sizeof last, "%s", text_of(&link, 1));
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_FIRST, 0));
    snprintf(first, sizeof first, "%s", text_of(&link, 1));
    assert_true(strcmp(first, last) < 0);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, -1));
    assert_string_equal(text_of(&link, 1), last);
    assert_int_equal(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_NEXT, 0), SQL_NO_DATA);
    link_close(&link);
}

/* ---- bookmarks */

static void bookmarks(void **state) {
    Link link;
    struct {
        uint8_t mark[8];
        SQLLEN mark_length;
        SQLINTEGER i;
    } rows[4];
    SQLUBIGINT number;
    SQLSMALLINT type;
    SQLULEN size;
    open_static(&link, connection, SQL_OV_ODBC3);
    FAILS(odbc.SQLBindCol(link.stmt, 0, SQL_C_VARBOOKMARK, rows[0].mark, 8, NULL));
    STATE_IS(&link, "07009");
    set(&link, SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
    set(&link, SQL_ATTR_ROW_BIND_TYPE, sizeof rows[0]);
    set(&link, SQL_ATTR_ROW_ARRAY_SIZE, 4);
    OK(odbc.SQLBindCol(link.stmt, 0, SQL_C_VARBOOKMARK, rows[0].mark, 8, &rows[0].mark_length));
    OK(odbc.SQLBindCol(link.stmt, 1, SQL_C_LONG, &rows[0].i, 0, NULL));
    run_ok(&link, query);
    OK(odbc.SQLDescribeCol(link.stmt, 0, NULL, 0, NULL, &type, &size, NULL, NULL));
    assert_int_equal(type, SQL_BINARY);
    assert_int_equal(size, 8);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 5000));
    assert_int_equal(rows[2].i, 5002);
    assert_int_equal(rows[2].mark_length, 8);
    uint8_t kept[8];
    memcpy(kept, rows[2].mark, 8);
    OK(odbc.SQLSetPos(link.stmt, 3, SQL_POSITION, SQL_LOCK_NO_CHANGE));
    uint8_t same[8];
    OK(odbc.SQLGetData(link.stmt, 0, SQL_C_VARBOOKMARK, same, 8, NULL));
    assert_memory_equal(kept, same, 8);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_FIRST, 0));
    FAILS(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_BOOKMARK, 0));
    STATE_IS(&link, "HY111");
    set(&link, SQL_ATTR_FETCH_BOOKMARK_PTR, (SQLULEN)(uintptr_t)kept);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_BOOKMARK, 0));
    assert_int_equal(rows[0].i, 5002);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_BOOKMARK, -10));
    assert_int_equal(rows[3].i, 4995);
    assert_int_equal(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_BOOKMARK, -5002), SQL_NO_DATA);
    link_close(&link);

    /* of version 2: a number */
    open_static(&link, connection, SQL_OV_ODBC2);
    set(&link, SQL_ATTR_USE_BOOKMARKS, SQL_UB_ON);
    run_ok(&link, query);
    SQLULEN fetched;
    SQLUSMALLINT status;
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_ABSOLUTE, 77, &fetched, &status));
    SQLUINTEGER narrow = 0;
    OK(odbc.SQLGetData(link.stmt, 0, SQL_C_ULONG, &narrow, 0, NULL));
    OK(odbc.SQLGetData(link.stmt, 0, SQL_C_UBIGINT, &number, 0, NULL));
    assert_int_equal(narrow, 77);
    assert_int_equal(number, 77);
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_FIRST, 0, &fetched, &status));
    OK(odbc.SQLExtendedFetch(link.stmt, SQL_FETCH_BOOKMARK, narrow, &fetched, &status));
    assert_string_equal(text_of(&link, 1), "77");
    link_close(&link);
}

/* ---- SQLSetPos(SQL_REFRESH) */

static void refresh(void **state) {
    static Rowset rowset;
    SQLUSMALLINT operation[5] = {SQL_ROW_PROCEED, SQL_ROW_PROCEED, SQL_ROW_IGNORE, SQL_ROW_PROCEED,
                                 SQL_ROW_PROCEED};
    Link link;
    open_static(&link, connection, SQL_OV_ODBC3);
    rowset_bind(&link, &rowset);
    set(&link, SQL_ATTR_ROW_ARRAY_SIZE, 5);
    run_ok(&link, query);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 2046)); /* two batches */
    memset(rowset.i, 0, sizeof rowset.i);
    memset(rowset.s, 0, sizeof rowset.s);
    OK(odbc.SQLSetPos(link.stmt, 2, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    assert_int_equal(rowset.i[0], 0);
    assert_int_equal(rowset.i[1], 2047);
    assert_string_equal(rowset.s[1], "row number 2047");
    set(&link, SQL_ATTR_ROW_OPERATION_PTR, (SQLULEN)(uintptr_t)operation);
    OK(odbc.SQLSetPos(link.stmt, 0, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    assert_int_equal(rowset.i[0], 2046);
    assert_int_equal(rowset.i[2], 0);
    assert_int_equal(rowset.i[4], 2050);
    FAILS(odbc.SQLSetPos(link.stmt, 6, SQL_REFRESH, SQL_LOCK_NO_CHANGE));
    STATE_IS(&link, "HY107");
    link_close(&link);
}

/* ---- attributes */

static void attributes(void **state) {
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC3, connection, false);
    assert_int_equal(get(&link, SQL_ATTR_CURSOR_TYPE), SQL_CURSOR_FORWARD_ONLY);
    static const SQLULEN others[] = {SQL_CURSOR_KEYSET_DRIVEN, SQL_CURSOR_DYNAMIC};
    for (int i = 0; i < 2; i++) {
        set(&link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_FORWARD_ONLY);
        INFO(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)(uintptr_t)others[i],
                                 0));
        STATE_IS(&link, "01S02");
        assert_int_equal(get(&link, SQL_ATTR_CURSOR_TYPE), SQL_CURSOR_STATIC);
        assert_int_equal(get(&link, SQL_ATTR_CURSOR_SCROLLABLE), SQL_SCROLLABLE);
    }
    set(&link, SQL_ATTR_CURSOR_SCROLLABLE, SQL_NONSCROLLABLE);
    assert_int_equal(get(&link, SQL_ATTR_CURSOR_TYPE), SQL_CURSOR_FORWARD_ONLY);
    run_ok(&link, "SELECT 1");
    FAILS(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_FIRST, 0));
    STATE_IS(&link, "HY106");
    OK(odbc.SQLFetch(link.stmt));
    FAILS(odbc.SQLSetStmtAttr(link.stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    STATE_IS(&link, "24000");
    OK(odbc.SQLCloseCursor(link.stmt));
    set(&link, SQL_ATTR_CURSOR_SENSITIVITY, SQL_INSENSITIVE);
    assert_int_equal(get(&link, SQL_ATTR_CURSOR_TYPE), SQL_CURSOR_STATIC);
    run_ok(&link, "SELECT 1");
    FAILS(odbc.SQLFetchScroll(link.stmt, 77, 0));
    STATE_IS(&link, "HY106");
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    assert_string_equal(text_of(&link, 1), "1");
    link_close(&link);
}

/* ---- errors: the row that fails is reached late */

static void failing(void **state) {
    Link link;
    open_static(&link, connection, SQL_OV_ODBC3);
    set(&link, SQL_ATTR_ROW_ARRAY_SIZE, 1);
    char sql[sizeof query + 80];
    snprintf(sql, sizeof sql, "SELECT 1 / (9000 - i), s FROM (%s) t", query);
    run_ok(&link, sql);
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_ABSOLUTE, 2));
    FAILS(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    STATE_IS(&link, "22012");
    OK(odbc.SQLFreeStmt(link.stmt, SQL_CLOSE));
    run_ok(&link, "SELECT 7");
    OK(odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0));
    assert_string_equal(text_of(&link, 1), "7");
    link_close(&link);
}

/* ---- polling */

static void asynchronous(void **state) {
    static Rowset rowset;
    Link link;
    SQLRETURN result;
    open_static(&link, connection, SQL_OV_ODBC3);
    rowset_bind(&link, &rowset);
    set(&link, SQL_ATTR_ROW_ARRAY_SIZE, 10);
    run_ok(&link, query);
    set(&link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
    while ((result = odbc.SQLFetchScroll(link.stmt, SQL_FETCH_LAST, 0)) == SQL_STILL_EXECUTING)
        usleep(100);
    OK(result);
    set(&link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
    rowset_holds(&link, &rowset, ROWS - 9, 10, ROWS);
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules),        cmocka_unit_test(no_rows),    cmocka_unit_test(walks),
        cmocka_unit_test(max_rows),     cmocka_unit_test(listings),   cmocka_unit_test(bookmarks),
        cmocka_unit_test(refresh),      cmocka_unit_test(attributes), cmocka_unit_test(failing),
        cmocka_unit_test(asynchronous),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
