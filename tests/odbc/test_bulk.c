/*
 * test_bulk.c - rows added through a cursor as arrays, and the calls that change rows through it while they wait:
 * polled, cancelled by another thread. On memory and SQLite catalogs and, where TRIB_TEST_MYSQL_PORT says where one
 * is, a MySQL server; the driver called directly and through unixODBC.
 */
#include "tests/odbc/odbc_test.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static Odbc direct, manager;
static Odbc *odbc; /* the one of the two under test */
static char folder[] = "/tmp/tributary_bulk_XXXXXX";
static const char *const catalogs[3] = {"memory", "lite", "my"};
static char connections[3][600]; /* by default catalog */
static int ncatalogs = 2;
static sqlite3 *other; /* another program's connection to the file of `lite` */

static int load(void **state) {
    const char *port = getenv("TRIB_TEST_MYSQL_PORT");
    char text[1500], path[300];
    assert_non_null(mkdtemp(folder));
    ncatalogs = port ? 3 : 2;
    snprintf(text, sizeof text, "[Trib]\nDriver=%s\nThreading=0\n", REAL_DRIVER);
    file_write(folder, "odbcinst.ini", text);
    snprintf(text, sizeof text,
             "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" }, \"lite\": { \"type\": "
             "\"sqlite\", \"path\": \"%s/lite\", \"mode\": \"readwrite\", \"busy_timeout\": 60000 "
             "}, \"my\": { \"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": %s, \"user\": "
             "\"trib\", \"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\", \"default_schema\": "
             "\"analytics_db\", \"mode\": \"readwrite\" } } }\n",
             folder, port ? port : "3306");
    file_write(folder, "config", text);
    file_write(folder, "lite", "");
    setenv("ODBCSYSINI", folder, 1);
    setenv("ODBCINI", "/nonexistent", 1);
    for (int i = 0; i < 3; i++)
        snprintf(connections[i], sizeof connections[i],
                 "Driver=Trib;Config=%s/config;ConnectorPath=%s;Metastore=:memory:;Catalog=%s",
                 folder, CONNECTOR_PATH, catalogs[i]);
    odbc_load(&direct, REAL_DRIVER);
    odbc_load(&manager, "libodbc.so.2");
    snprintf(path, sizeof path, "%s/lite", folder);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"odbcinst.ini", "config", "lite"};
    char path[200];
    sqlite3_close(other);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* ---- rows and their buffers */

#define ROWS 1000

typedef struct Item {
    SQLINTEGER id;
    char name[24];
    char day[24];
    SQLLEN lengths[3];
    SQLULEN mark;
    SQLLEN mark_length;
} Item;

static Item items[ROWS];
static SQLUSMALLINT states[ROWS], operations[ROWS];
static SQLULEN processed;

/* Row i of the buffers: what it says is a function of i. */
static void item_set(int i, SQLINTEGER id) {
    Item *item = &items[i];
    item->id = id;
    item->lengths[0] = 0;
    item->lengths[1] = snprintf(item->name, sizeof item->name, "name %d", (int)id);
    item->lengths[2] = snprintf(item->day, sizeof item->day, "2024-02-%02d", 1 + i % 29);
}

static void items_set(int count, SQLINTEGER first) {
    for (int i = 0; i < count; i++) item_set(i, first + i);
}

/* A cursor over the table, `rows` buffers bound by row. */
static void cursor_open(Link *link, SQLULEN rows) {
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    set_attribute(link, SQL_ATTR_ROW_BIND_TYPE, sizeof(Item));
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, rows);
    set_attribute(link, SQL_ATTR_ROW_STATUS_PTR, (SQLULEN)states);
    set_attribute(link, SQL_ATTR_ROWS_FETCHED_PTR, (SQLULEN)&processed);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_SLONG, &items[0].id, 0, &items[0].lengths[0]));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, items[0].name, sizeof items[0].name,
                        &items[0].lengths[1]));
    OK(odbc->SQLBindCol(link->stmt, 3, SQL_C_CHAR, items[0].day, sizeof items[0].day,
                        &items[0].lengths[2]));
    run_ok(link, "SELECT id, name, day FROM bulk_items ORDER BY id");
}

#define SETPOS(row, operation) odbc->SQLSetPos(link->stmt, row, operation, SQL_LOCK_NO_CHANGE)
#define BULK(operation)        odbc->SQLBulkOperations(link->stmt, operation)

typedef void (*Scene)(Link *link);

static int playing; /* on which catalog */

static void play_one(Scene scene) {
    Link link;
    link_open(&link, odbc, SQL_OV_ODBC3, connections[playing], false);
    beside(&link, "DROP TABLE IF EXISTS bulk_items");
    beside(&link,
           "CREATE TABLE bulk_items (id integer PRIMARY KEY, name varchar(10) DEFAULT 'none' "
           "NOT NULL, day date)");
    beside(&link,
           "INSERT INTO bulk_items VALUES (1, 'one', DATE '2024-01-01'), (2, 'two', NULL), (3, "
           "'three', NULL)");
    memset(items, 0, sizeof items);
    memset(operations, 0, sizeof operations);
    memset(states, 0x55, sizeof states);
    scene(&link);
    OK(odbc->SQLFreeStmt(link.stmt, SQL_CLOSE));
    beside(&link, "DROP TABLE bulk_items");
    link_close(&link);
}

/* A scene is played with each catalog and driver. */
static void play(Scene scene) {
    for (playing = 0; playing < ncatalogs; playing++) {
        for (int i = 0; i < 2; i++) {
            odbc = i ? &manager : &direct;
            play_one(scene);
        }
    }
}

/* Only where another program can hold a lock. */
static void play_locked(Scene scene) {
    playing = 1;
    for (int i = 0; i < 2; i++) {
        odbc = i ? &manager : &direct;
        play_one(scene);
    }
}

static SQLLEN counted(Link *link) {
    SQLLEN count = -7;
    OK(odbc->SQLRowCount(link->stmt, &count));
    return count;
}

/* ---- diagnostics: the record of a row */

typedef struct Record {
    SQLLEN row;
    SQLINTEGER column;
    char state[6];
} Record;

static Record record_of(Link *link, SQLSMALLINT number) {
    Record record = {-7, -7, ""};
    OK(odbc->SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, number, SQL_DIAG_ROW_NUMBER, &record.row,
                             0, NULL));
    OK(odbc->SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, number, SQL_DIAG_COLUMN_NUMBER,
                             &record.column, 0, NULL));
    OK(odbc->SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, number, SQL_DIAG_SQLSTATE, record.state,
                             sizeof record.state, NULL));
    return record;
}

static void record_is(Link *link, SQLSMALLINT number, const char *state, SQLLEN row,
                      SQLINTEGER column) {
    Record found = record_of(link, number);
    if (strcmp(found.state, state) != 0 || found.row != row || found.column != column)
        fail_msg("record %d: %s (%s) of row %ld, column %ld instead of %s of %ld, %ld", number,
                 found.state, (diag_of(odbc, SQL_HANDLE_STMT, link->stmt), diag_message()),
                 (long)found.row, (long)found.column, state, (long)row, (long)column);
}

static SQLINTEGER records(Link *link) {
    SQLINTEGER count = -1;
    OK(odbc->SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, 0, SQL_DIAG_NUMBER, &count, 0, NULL));
    return count;
}

/* ---- SQL_ADD */

/* Rows that fail, anywhere in the array, are marked with the reason; all others are stored. */
static void failing_scene(Link *link) {
    cursor_open(link, ROWS);
    items_set(ROWS, 100);
    items[0].id = 1;                      /* is there */
    items[10].lengths[1] = SQL_NULL_DATA; /* must be something */
    items[11].lengths[1] = 5;             /* only a part */
    strcpy(items[500].day, "no day");     /* is none */
    items[500].lengths[2] = SQL_NTS;
    items[501].id = 100 + 499;              /* the row before the last has it */
    strcpy(items[998].name, "eleven char"); /* too long */
    items[998].lengths[1] = SQL_NTS;
    items[999].lengths[2] = (SQLLEN)sizeof items[0].day + 1; /* what a fetch has cut */
    INFO(BULK(SQL_ADD));
    static const int failed[] = {0, 10, 500, 501, 998, 999};
    for (int i = 0, at = 0; i < ROWS; i++) {
        bool bad = at < 6 && failed[at] == i;
        at += bad;
        if (states[i] != (bad ? SQL_ROW_ERROR : SQL_ROW_ADDED))
            fail_msg("row %d: %d", i, states[i]);
    }
    assert_int_equal(processed, ROWS);
    assert_int_equal(records(link), 7);
    record_is(link, 1, "01S01", SQL_NO_ROW_NUMBER, SQL_NO_COLUMN_NUMBER);
    record_is(link, 2, "23000", 1, SQL_NO_COLUMN_NUMBER);
    record_is(link, 3, "23000", 11, SQL_NO_COLUMN_NUMBER);
    record_is(link, 4, "22018", 501, 3);
    record_is(link, 5, "23000", 502, SQL_NO_COLUMN_NUMBER);
    record_is(link, 6, "22001", 999, 2);
    record_is(link, 7, "HY090", 1000, 3);
    assert_int_equal(counted(link), ROWS - 6);
    value_is(link, "SELECT count(*) FROM bulk_items WHERE id >= 100", "994");
    value_is(
        link,
        "SELECT count(*) FROM bulk_items WHERE id >= 100 AND name = 'name ' || CAST(id AS varchar) "
        "AND day = DATE '2024-02-01' + (id - 100) % 29 * INTERVAL '1' DAY",
        "993");
    value_is(link, "SELECT name FROM bulk_items WHERE id = 111", "name ");
}

static void failing(void **state) {
    play(failing_scene);
}

/* Every row fails: SQL_ERROR. */
static void all_failing_scene(Link *link) {
    cursor_open(link, 20);
    items_set(20, 100);
    for (int i = 0; i < 20; i++) items[i].id = 1 + i % 3;
    FAILS(BULK(SQL_ADD));
    assert_int_equal(records(link), 20);
    for (int i = 0; i < 20; i++) {
        record_is(link, (SQLSMALLINT)(i + 1), "23000", i + 1, SQL_NO_COLUMN_NUMBER);
        assert_int_equal(states[i], SQL_ROW_ERROR);
    }
    assert_int_equal(counted(link), 0);
    value_is(link, "SELECT count(*) FROM bulk_items", "3");
    for (int i = 0; i < 20; i++) strcpy(items[i].day, "never"), items[i].lengths[2] = SQL_NTS;
    FAILS(BULK(SQL_ADD)); /* none gets as far as the engine */
    assert_int_equal(records(link), 20);
    record_is(link, 20, "22018", 20, 3);
    beside(link, "DROP TABLE bulk_items"); /* nor is it the rows' fault: told once */
    items_set(20, 100);
    FAILS(BULK(SQL_ADD));
    assert_int_equal(records(link), 1);
    record_is(link, 1, "42S02", SQL_ROW_NUMBER_UNKNOWN, SQL_NO_COLUMN_NUMBER);
    for (int i = 0; i < 20; i++) assert_int_equal(states[i], SQL_ROW_ERROR);
    beside(link, "CREATE TABLE bulk_items (id integer PRIMARY KEY, name varchar(10), day date)");
    OK(BULK(SQL_ADD)); /* the cursor and its call are as good as before */
    value_is(link, "SELECT count(*) FROM bulk_items", "20");
}

static void all_failing(void **state) {
    play(all_failing_scene);
}

/* Columns that a row ignores have their defaults; rows with nothing to write are marked; the order counts. */
static void ignoring_scene(Link *link) {
    cursor_open(link, 60);
    items_set(60, 100);
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 1) items[i].lengths[1] = SQL_COLUMN_IGNORE;
        if (i % 3 == 2) items[i].lengths[2] = SQL_COLUMN_IGNORE;
    }
    for (int c = 0; c < 3; c++) items[30].lengths[c] = SQL_COLUMN_IGNORE;
    items[41].id = items[40].id; /* the second of the two fails, although it is of another run */
    INFO(BULK(SQL_ADD));
    for (int i = 0; i < 60; i++)
        assert_int_equal(states[i], i == 30 || i == 41 ? SQL_ROW_ERROR : SQL_ROW_ADDED);
    record_is(link, 2, "21S02", 31, SQL_NO_COLUMN_NUMBER);
    record_is(link, 3, "23000", 42, SQL_NO_COLUMN_NUMBER);
    assert_int_equal(counted(link), 58);
    value_is(link, "SELECT count(*) FROM bulk_items WHERE id >= 100 AND name = 'none'", "20");
    value_is(link, "SELECT count(*) FROM bulk_items WHERE id >= 100 AND day IS NULL", "19");
    value_is(link, "SELECT name FROM bulk_items WHERE id = 140", "none");
    /* SQLSetPos leaves rows out by the row operation array */
    set_attribute(link, SQL_ATTR_ROW_OPERATION_PTR, (SQLULEN)operations);
    items_set(60, 200);
    for (int i = 0; i < 60; i++) operations[i] = i % 4 == 0 ? SQL_ROW_IGNORE : SQL_ROW_PROCEED;
    memset(states, 0x55, sizeof states);
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    items_set(60, 200);
    memset(states, 0x55, sizeof states);
    OK(SETPOS(0, SQL_ADD));
    for (int i = 0; i < 60; i++) assert_int_equal(states[i], i % 4 == 0 ? 0x5555 : SQL_ROW_ADDED);
    assert_int_equal(counted(link), 45);
    value_is(link, "SELECT count(*) FROM bulk_items WHERE id >= 200 AND id % 4 <> 0", "45");
    set_attribute(link, SQL_ATTR_ROW_OPERATION_PTR, 0);
}

static void ignoring(void **state) {
    play(ignoring_scene);
}

/* ---- at random: as if one row had been added after the other */

static uint32_t random_state = 20240229;

static uint32_t random_below(uint32_t limit) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * limit) >> 32);
}

/* Fills row i; is it to be stored, given the ids that are there? */
static bool row_random(int i, bool *there) {
    Item *item = &items[i];
    item_set(i, 100 + (SQLINTEGER)random_below(2800));
    bool good = true;
    switch (random_below(40)) {
    case 0:
        item->lengths[1] = SQL_NULL_DATA;
        good = false;
        break;
    case 1: strcpy(item->name, "eleven char"), item->lengths[1] = SQL_NTS, good = false; break;
    case 2: strcpy(item->day, "2023-02-29"), item->lengths[2] = SQL_NTS, good = false; break;
    case 3: item->lengths[1] = SQL_COLUMN_IGNORE; break;
    case 4: item->lengths[2] = SQL_COLUMN_IGNORE; break;
    case 5: item->lengths[2] = SQL_NULL_DATA; break;
    default: break;
    }
    good = good && !there[item->id];
    if (good) there[item->id] = true;
    return good;
}

static void random_scene(Link *link) {
    static bool there[3000], stored[ROWS];
    char expected[24];
    int64_t total = 0, rows = 0;
    memset(there, 0, sizeof there);
    cursor_open(link, ROWS);
    for (int round = 0; round < 3; round++) {
        SQLULEN size = 1 + random_below(200);
        int bad = 0;
        set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, size);
        for (SQLULEN i = 0; i < size; i++) {
            stored[i] = row_random((int)i, there);
            bad += !stored[i];
            if (stored[i]) total += items[i].id, rows++;
        }
        SQLRETURN result = BULK(SQL_ADD);
        assert_int_equal(result, bad == 0           ? SQL_SUCCESS
                                 : bad == (int)size ? SQL_ERROR
                                                    : SQL_SUCCESS_WITH_INFO);
        assert_int_equal(records(link), bad == 0 ? 0 : bad == (int)size ? bad : bad + 1);
        for (SQLULEN i = 0; i < size; i++)
            if (states[i] != (stored[i] ? SQL_ROW_ADDED : SQL_ROW_ERROR))
                fail_msg("round %d, row %d of %d: %d", round, (int)i, (int)size, states[i]);
        snprintf(expected, sizeof expected, "%lld", (long long)rows);
        value_is(link, "SELECT count(*) FROM bulk_items WHERE id >= 100", expected);
        snprintf(expected, sizeof expected, "%lld", (long long)total);
        if (rows > 0) value_is(link, "SELECT sum(id) FROM bulk_items WHERE id >= 100", expected);
    }
}

static void random_rows(void **state) {
    play(random_scene);
}

/* ---- arrays of parameters: each failing set by its number, each value by its parameter's */

static void parameter_bind(Link *link, SQLUSMALLINT number, SQLSMALLINT type, char *data) {
    static SQLLEN lengths[4] = {SQL_NTS, SQL_NTS, SQL_NTS, SQL_NTS};
    OK(odbc->SQLBindParameter(link->stmt, number, SQL_PARAM_INPUT, SQL_C_CHAR, type, 30, 0, data,
                              24, lengths));
}

static void blamed_scene(Link *link) {
    static char ids[4][24] = {"11", "12", "13", "x"};
    static char names[4][24] = {"a", "b", "eleven char", "d"};
    static char days[4][24] = {"2024-01-01", "bad", "2024-01-01", "2024-01-01"};
    set_attribute(link, SQL_ATTR_PARAMSET_SIZE, 4);
    set_attribute(link, SQL_ATTR_PARAM_STATUS_PTR, (SQLULEN)states);
    for (int typed = 0; typed < 2; typed++) { /* what the engine finds, and what the driver does */
        parameter_bind(link, 1, typed ? SQL_INTEGER : SQL_VARCHAR, ids[0]);
        parameter_bind(link, 2, SQL_VARCHAR, names[0]);
        parameter_bind(link, 3, typed ? SQL_TYPE_DATE : SQL_VARCHAR, days[0]);
        INFO(run(link, "INSERT INTO bulk_items VALUES (?, ?, ?)"));
        assert_int_equal(records(link), 3);
        record_is(link, 1, typed ? "22018" : "22007", 2, 3);
        record_is(link, 2, "22001", 3, 2);
        record_is(link, 3, "22018", 4, 1);
        value_is(link, "SELECT count(*) FROM bulk_items WHERE id > 10", "1");
        beside(link, "DELETE FROM bulk_items WHERE id > 10");
        parameter_bind(link, 1, SQL_VARCHAR, names[0]);
        parameter_bind(link, 2, typed ? SQL_TYPE_DATE : SQL_VARCHAR, days[0]);
        parameter_bind(link, 3, typed ? SQL_INTEGER : SQL_VARCHAR, ids[0]);
        INFO(run(link, "UPDATE bulk_items SET name = ?, day = ? WHERE id = ?"));
        record_is(link, 1, typed ? "22018" : "22007", 2, 2);
        record_is(link, 2, "22018", 4, 3);
    }
    set_attribute(link, SQL_ATTR_PARAMSET_SIZE, 1);
    set_attribute(link, SQL_ATTR_PARAM_STATUS_PTR, 0);
    OK(odbc->SQLFreeStmt(link->stmt, SQL_RESET_PARAMS));
}

static void blamed(void **state) {
    play(blamed_scene);
}

/* SQLSetPos, too; the place in a statement that nobody has written is not told. */
static void blamed_rows_scene(Link *link) {
    cursor_open(link, 3);
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    items_set(3, 1);
    strcpy(items[0].day, "no day");
    items[0].lengths[2] = SQL_NTS;
    strcpy(items[2].name, "eleven char");
    items[2].lengths[1] = SQL_NTS;
    INFO(SETPOS(0, SQL_UPDATE));
    assert_int_equal(records(link), 3);
    record_is(link, 2, "22018", 1, 3);
    record_is(link, 3, "22001", 3, 2);
    assert_null(strstr(diag_message(), "(line"));
    items[1].lengths[1] = SQL_NULL_DATA;
    FAILS(SETPOS(2, SQL_UPDATE));
    record_is(link, 1, "23000", 2, SQL_NO_COLUMN_NUMBER);
    assert_null(strstr(diag_message(), "(line"));
}

static void blamed_rows(void **state) {
    play(blamed_rows_scene);
}

/* ---- what is claimed of added rows, and their bookmarks */

static SQLUINTEGER claims(Link *link, SQLUSMALLINT type) {
    SQLUINTEGER bits = 0;
    OK(odbc->SQLGetInfo(link->dbc, type, &bits, sizeof bits, NULL));
    return bits;
}

/* How many rows the cursor has, and the largest id of them. */
static int rows_shown(Link *link, SQLINTEGER *largest) {
    int rows = 0;
    SQLRETURN result = odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0);
    for (; result == SQL_SUCCESS; result = odbc->SQLFetchScroll(link->stmt, SQL_FETCH_NEXT, 0)) {
        for (SQLULEN i = 0; i < processed; i++) {
            if (states[i] == SQL_ROW_DELETED) continue;
            if (items[i].id > *largest) *largest = items[i].id;
            rows++;
        }
    }
    assert_int_equal(result, SQL_NO_DATA);
    return rows;
}

/* Additions do not come in, of the cursor's own neither; updates and deletions through it do, those of others
 * do not. Just this is what SQLGetInfo says. */
static void sensitivity_scene(Link *link) {
    SQLINTEGER largest = 0;
    assert_int_equal(claims(link, SQL_STATIC_SENSITIVITY), SQL_SS_UPDATES);
    assert_int_equal(claims(link, SQL_STATIC_CURSOR_ATTRIBUTES2) &
                         (SQL_CA2_SENSITIVITY_ADDITIONS | SQL_CA2_SENSITIVITY_DELETIONS |
                          SQL_CA2_SENSITIVITY_UPDATES),
                     SQL_CA2_SENSITIVITY_UPDATES);
    assert_int_equal(claims(link, SQL_KEYSET_CURSOR_ATTRIBUTES1), 0);
    assert_int_equal(claims(link, SQL_DYNAMIC_CURSOR_ATTRIBUTES2), 0);
    cursor_open(link, 4);
    assert_int_equal(rows_shown(link, &largest), 3);
    items_set(4, 50);
    OK(BULK(SQL_ADD));
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    item_set(3, 60);
    OK(SETPOS(4, SQL_ADD));
    beside(link, "INSERT INTO bulk_items VALUES (70, 'theirs', NULL)");
    largest = 0;
    assert_int_equal(rows_shown(link, &largest), 3);
    assert_int_equal(largest, 3);
    beside(link, "UPDATE bulk_items SET name = 'theirs' WHERE id = 1");
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    assert_string_equal(items[0].name, "one"); /* others' */
    item_set(1, 2);
    strcpy(items[1].name, "mine");
    items[1].lengths[1] = 4;
    OK(SETPOS(2, SQL_UPDATE));
    OK(SETPOS(3, SQL_DELETE));
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    assert_string_equal(items[1].name, "mine");
    /* a deleted row leaves a hole: the application must pass over it, so that deletions are not claimed */
    assert_int_equal(states[2], SQL_ROW_DELETED);
    assert_int_equal(processed, 3);
}

static void sensitivity(void **state) {
    play(sensitivity_scene);
}

/* The bookmarks that SQL_ADD gives lead to the rows that were added. */
static void marks_scene(Link *link) {
    SQLULEN marks[6];
    set_attribute(link, SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
    cursor_open(link, 6);
    OK(odbc->SQLBindCol(link->stmt, 0, SQL_C_VARBOOKMARK, &items[0].mark, 8,
                        &items[0].mark_length));
    items_set(6, 100);
    items[2].id = 1;                               /* fails */
    for (int i = 0; i < 6; i++) items[i].mark = 1; /* nobody is to delete the first row by it */
    INFO(BULK(SQL_ADD));
    assert_int_equal(items[2].mark, 0);
    assert_int_equal(items[2].mark_length, SQL_NULL_DATA);
    for (int i = 0; i < 6; i++) marks[i] = items[i].mark;
    for (int i = 0; i < 6; i++) assert_int_equal(marks[i] > 1, i != 2);
    memset(items, 0, sizeof items);
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, 2);
    items[0].mark = marks[5];
    items[1].mark = marks[0];
    OK(BULK(SQL_FETCH_BY_BOOKMARK));
    assert_int_equal(items[0].id, 105);
    assert_string_equal(items[0].name, "name 105");
    assert_string_equal(items[1].day, "2024-02-01");
    strcpy(items[0].name, "new");
    items[0].lengths[1] = 3;
    items[1].lengths[1] = SQL_COLUMN_IGNORE;
    items[1].lengths[2] = SQL_NULL_DATA;
    OK(BULK(SQL_UPDATE_BY_BOOKMARK));
    OK(BULK(SQL_FETCH_BY_BOOKMARK));
    assert_string_equal(items[0].name, "new");
    assert_int_equal(items[1].lengths[2], SQL_NULL_DATA);
    items[0].mark = marks[1];
    items[1].mark = marks[2];
    INFO(BULK(SQL_DELETE_BY_BOOKMARK));
    record_is(link, 2, "HY111", 2, SQL_NO_COLUMN_NUMBER);
    value_is(link,
             "SELECT listagg(CAST(id AS varchar) || name || coalesce(CAST(day AS varchar), '-'), "
             "' ') WITHIN GROUP (ORDER BY id) FROM bulk_items WHERE id >= 100",
             "100name 100- 103name 1032024-02-04 104name 1042024-02-05 105new2024-02-06");
    /* a rollback takes the row and its bookmark */
    OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    items_set(2, 200);
    OK(BULK(SQL_ADD));
    OK(BULK(SQL_FETCH_BY_BOOKMARK));
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_ROLLBACK));
    FAILS(BULK(SQL_FETCH_BY_BOOKMARK));
    record_is(link, 1, "HY111", 1, SQL_NO_COLUMN_NUMBER);
    OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_ON, 0));
    SQLINTEGER largest = 0;
    OK(odbc->SQLBindCol(link->stmt, 0, SQL_C_VARBOOKMARK, NULL, 0, NULL));
    assert_int_equal(rows_shown(link, &largest), 3);
}

static void marks(void **state) {
    play(marks_scene);
}

/* ---- polled calls, and those that another thread cancels, while another program has the lock of the file */

static void lock_take(void) {
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
}

static void lock_drop(void) {
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
}

typedef SQLRETURN (*Asked)(Link *link);

static SQLRETURN ask_update(Link *link) {
    return SETPOS(1, SQL_UPDATE);
}

static SQLRETURN ask_update_all(Link *link) {
    return SETPOS(0, SQL_UPDATE);
}

static SQLRETURN ask_delete(Link *link) {
    return SETPOS(2, SQL_DELETE);
}

static SQLRETURN ask_add(Link *link) {
    return BULK(SQL_ADD);
}

static SQLRETURN ask_delete_marked(Link *link) {
    return BULK(SQL_DELETE_BY_BOOKMARK);
}

#define FIRST "1:one 2:two 3:three"

typedef struct WaitingCall {
    Asked ask;
    const char *after; /* what the table has then */
} WaitingCall;

static const WaitingCall waiting[] = {
    {ask_update, "1:name 1 2:two 3:three"},
    {ask_update_all, "1:name 1 2:name 2 3:name 3"},
    {ask_delete, "1:one 3:three"},
    {ask_add, FIRST " 11:name 11 12:name 12 13:name 13"},
    {ask_delete_marked, "none"},
};
#define WAITING (sizeof waiting / sizeof *waiting)

static void table_is(Link *link, const char *expected) {
    value_is(link,
             "SELECT coalesce(listagg(CAST(id AS varchar) || ':' || name, ' ') WITHIN GROUP "
             "(ORDER BY id), 'none') FROM bulk_items",
             expected);
}

/* The cursor on its three rows, and in the buffers what the call is to write. */
static void prepare_call(Link *link, const WaitingCall *call) {
    SQLRETURN result = odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0);
    if (result != SQL_SUCCESS)
        fail_msg("%s: %d %s %s", odbc == &direct ? "directly" : "managed", result,
                 diag_of(odbc, SQL_HANDLE_STMT, link->stmt), diag_message());
    bool adds = call->ask == ask_add;
    for (int i = 0; i < 3; i++) item_set(i, (adds ? 11 : 1) + i);
}

static void table_renew(Link *link) {
    beside(link, "DELETE FROM bulk_items");
    beside(link,
           "INSERT INTO bulk_items VALUES (1, 'one', NULL), (2, 'two', NULL), (3, 'three', NULL)");
}

static void marked_cursor(Link *link) {
    set_attribute(link, SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
    cursor_open(link, 3);
    OK(odbc->SQLBindCol(link->stmt, 0, SQL_C_VARBOOKMARK, &items[0].mark, 8,
                        &items[0].mark_length));
}

static void pause_briefly(void) {
    struct timespec time = {0, 2000000};
    nanosleep(&time, NULL);
}

/* It is still executing as long as the lock is there; other functions are refused meanwhile. */
static void polled_scene(Link *link) {
    for (size_t i = 0; i < WAITING; i++) {
        table_renew(link);
        marked_cursor(link);
        prepare_call(link, &waiting[i]);
        set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
        lock_take();
        for (int polls = 0; polls < 10; polls++, pause_briefly())
            assert_int_equal(waiting[i].ask(link), SQL_STILL_EXECUTING);
        FAILS(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
        STATE_IS(link, "HY010");
        FAILS(odbc->SQLFreeStmt(link->stmt, SQL_CLOSE));
        STATE_IS(link, "HY010");
        lock_drop();
        SQLRETURN result;
        while ((result = waiting[i].ask(link)) == SQL_STILL_EXECUTING) pause_briefly();
        if (result != SQL_SUCCESS)
            fail_msg("call %zu: %d %s %s", i, result, diag_of(odbc, SQL_HANDLE_STMT, link->stmt),
                     diag_message());
        set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
        table_is(link, waiting[i].after);
        close_cursor(link);
    }
}

static void polled(void **state) {
    play_locked(polled_scene);
}

/* SQLCancel ends a polled call: nothing is written, and the cursor goes on. */
static void polled_cancel_scene(Link *link) {
    for (size_t i = 0; i < WAITING; i++) {
        SQLRETURN result;
        table_renew(link);
        marked_cursor(link);
        prepare_call(link, &waiting[i]);
        set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
        lock_take();
        for (int polls = 0; polls < 3; polls++, pause_briefly())
            assert_int_equal(waiting[i].ask(link), SQL_STILL_EXECUTING);
        OK(odbc->SQLCancel(link->stmt));
        while ((result = waiting[i].ask(link)) == SQL_STILL_EXECUTING) pause_briefly();
        FAILS(result);
        STATE_IS(link, "HY008");
        lock_drop();
        set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
        table_is(link, FIRST);
        prepare_call(link, &waiting[i]);
        OK(waiting[i].ask(link));
        table_is(link, waiting[i].after);
        close_cursor(link);
    }
}

static void polled_cancel(void **state) {
    play_locked(polled_cancel_scene);
}

/* A row whose data is given in parts, polled: SQLParamData waits, and asks for the next row's data. */
static void polled_parts_scene(Link *link) {
    SQLPOINTER token = NULL;
    SQLRETURN result;
    cursor_open(link, 3);
    items_set(3, 11);
    items[0].lengths[1] = items[2].lengths[1] = SQL_DATA_AT_EXEC;
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
    assert_int_equal(BULK(SQL_ADD), SQL_NEED_DATA);
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, items[0].name);
    OK(odbc->SQLPutData(link->stmt, "first", 5));
    lock_take();
    for (int polls = 0; polls < 5; polls++, pause_briefly())
        assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_STILL_EXECUTING);
    lock_drop();
    while ((result = odbc->SQLParamData(link->stmt, &token)) == SQL_STILL_EXECUTING)
        pause_briefly();
    assert_int_equal(result, SQL_NEED_DATA);
    assert_ptr_equal(token, items[2].name);
    OK(odbc->SQLPutData(link->stmt, "third", 5));
    while ((result = odbc->SQLParamData(link->stmt, &token)) == SQL_STILL_EXECUTING)
        pause_briefly();
    OK(result);
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
    table_is(link, FIRST " 11:first 12:name 12 13:third");
}

static void polled_parts(void **state) {
    play_locked(polled_parts_scene);
}

/* The same of parameters. */
static void polled_sets_scene(Link *link) {
    SQLINTEGER ids[2] = {11, 12};
    char tokens[2][4] = {"", ""};
    SQLLEN lengths[2] = {SQL_DATA_AT_EXEC, SQL_DATA_AT_EXEC};
    SQLPOINTER token = NULL;
    SQLRETURN result;
    set_attribute(link, SQL_ATTR_PARAMSET_SIZE, 2);
    OK(odbc->SQLBindParameter(link->stmt, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids,
                              0, NULL));
    OK(odbc->SQLBindParameter(link->stmt, 2, SQL_PARAM_INPUT, SQL_C_CHAR, SQL_VARCHAR, 10, 0,
                              tokens, 4, lengths));
    OK(odbc->SQLPrepare(link->stmt, (SQLCHAR *)"INSERT INTO bulk_items VALUES (?, ?, NULL)",
                        SQL_NTS));
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
    while ((result = odbc->SQLExecute(link->stmt)) == SQL_STILL_EXECUTING) pause_briefly();
    assert_int_equal(result, SQL_NEED_DATA);
    lock_take();
    for (int i = 0; i < 2; i++) {
        if (i == 0) assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
        assert_ptr_equal(token, tokens[i]);
        OK(odbc->SQLPutData(link->stmt, i ? "second" : "first", SQL_NTS));
        if (i == 0)
            for (int polls = 0; polls < 3; polls++, pause_briefly())
                assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_STILL_EXECUTING);
        if (i == 0) lock_drop();
        while ((result = odbc->SQLParamData(link->stmt, &token)) == SQL_STILL_EXECUTING)
            pause_briefly();
        assert_int_equal(result, i ? SQL_SUCCESS : SQL_NEED_DATA);
    }
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
    set_attribute(link, SQL_ATTR_PARAMSET_SIZE, 1);
    table_is(link, FIRST " 11:first 12:second");
}

static void polled_sets(void **state) {
    play_locked(polled_sets_scene);
}

/* What others have changed is shown when it is asked for. */
static void polled_refresh_scene(Link *link) {
    SQLRETURN result;
    cursor_open(link, 3);
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    beside(link, "UPDATE bulk_items SET name = 'theirs' WHERE id <> 2");
    beside(link, "DELETE FROM bulk_items WHERE id = 2");
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
    while ((result = SETPOS(0, SQL_REFRESH)) == SQL_STILL_EXECUTING) pause_briefly();
    OK(result);
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
    assert_int_equal(processed, 3);
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    assert_int_equal(states[1], SQL_ROW_DELETED);
    assert_string_equal(items[0].name, "theirs");
    assert_string_equal(items[2].name, "theirs");
}

static void polled_refresh(void **state) {
    play(polled_refresh_scene);
}

static double seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Another thread's SQLCancel ends a call that waits, long before the lock would come free. */
static void cancelled_scene(Link *link) {
    for (size_t i = 0; i < WAITING; i++) {
        Canceller canceller;
        table_renew(link);
        marked_cursor(link);
        prepare_call(link, &waiting[i]);
        lock_take();
        double start = seconds_now();
        /* not before the call: the manager takes the cursor for closed then */
        canceller_begin(&canceller, odbc, link->stmt);
        FAILS(waiting[i].ask(link));
        STATE_IS(link, "HY008");
        assert_true(seconds_now() - start < 20);
        canceller_end(&canceller);
        lock_drop();
        table_is(link, FIRST);
        if (odbc == &manager) { /* which takes the cursor for closed */
            close_cursor(link);
            marked_cursor(link);
        }
        prepare_call(link, &waiting[i]);
        OK(waiting[i].ask(link));
        table_is(link, waiting[i].after);
        close_cursor(link);
    }
}

static void cancelled(void **state) {
    play_locked(cancelled_scene);
}

/* A call that waits too long ends by itself, and leaves things as they were. */
static void timed_out_scene(Link *link) {
    for (size_t i = 0; i < 4; i += 3) { /* an update, an addition */
        table_renew(link);
        marked_cursor(link);
        prepare_call(link, &waiting[i]);
        lock_take();
        double start = seconds_now();
        set_attribute(link, SQL_ATTR_QUERY_TIMEOUT, 1);
        FAILS(waiting[i].ask(link));
        STATE_IS(link, "HYT00");
        assert_true(seconds_now() - start > 0.9 && seconds_now() - start < 20);
        set_attribute(link, SQL_ATTR_QUERY_TIMEOUT, 0);
        lock_drop();
        table_is(link, FIRST);
        OK(waiting[i].ask(link));
        table_is(link, waiting[i].after);
        close_cursor(link);
    }
}

static void timed_out(void **state) {
    playing = 1;
    odbc = &direct;
    play_one(timed_out_scene);
}

typedef struct Latecomer {
    SQLHSTMT stmt;
    long delay_ns;
} Latecomer;

static void *cancel_later(void *context) {
    Latecomer *self = context;
    struct timespec delay = {0, self->delay_ns};
    nanosleep(&delay, NULL);
    (void)odbc->SQLCancel(self->stmt);
    return NULL;
}

/* A cancel that comes at any time, between two of the rows too: each row is as before or as it was to be, as its
 * status says. */
static void whole_scene(Link *link) {
    for (int round = 0; round < 20; round++) {
        Latecomer canceller = {link->stmt, round * 100000};
        pthread_t thread;
        char expected[100] = "";
        table_renew(link);
        cursor_open(link, 3);
        OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
        items_set(3, 1);
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, &canceller), 0);
        SQLRETURN result = SETPOS(0, SQL_UPDATE);
        /* a server whose answer to the COMMIT was not awaited may have carried it out */
        bool unknown = result == SQL_ERROR && playing == 2 &&
                       strcmp(diag_of(odbc, SQL_HANDLE_STMT, link->stmt), "08007") == 0;
        /* and unixODBC takes a cursor for closed that was cancelled before the call */
        bool early = result == SQL_ERROR && odbc == &manager &&
                     strcmp(diag_of(odbc, SQL_HANDLE_STMT, link->stmt), "HY010") == 0;
        if (result == SQL_ERROR && !unknown && !early) STATE_IS(link, "HY008");
        pthread_join(thread, NULL);
        static const char *const before[3] = {"1:one", "2:two", "3:three"};
        for (int i = 0; i < 3; i++) {
            bool done = states[i] == SQL_ROW_UPDATED;
            if (result == SQL_SUCCESS) assert_true(done);
            char now[20];
            snprintf(now, sizeof now, "%d:name %d", i + 1, i + 1);
            strcat(strcat(expected, i ? " " : ""), done ? now : before[i]);
        }
        if (unknown)
            value_is(link,
                     "SELECT count(*) FROM bulk_items WHERE name IN ('one', 'two', 'three', 'name "
                     "1', 'name 2', 'name 3')",
                     "3");
        else
            table_is(link, expected);
        OK(odbc->SQLFreeStmt(link->stmt, SQL_CLOSE));
    }
}

static void whole(void **state) {
    play(whole_scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing),       cmocka_unit_test(all_failing),
        cmocka_unit_test(ignoring),      cmocka_unit_test(random_rows),
        cmocka_unit_test(blamed),        cmocka_unit_test(blamed_rows),
        cmocka_unit_test(sensitivity),   cmocka_unit_test(marks),
        cmocka_unit_test(polled),        cmocka_unit_test(polled_parts),
        cmocka_unit_test(polled_sets),   cmocka_unit_test(polled_refresh),
        cmocka_unit_test(polled_cancel), cmocka_unit_test(cancelled),
        cmocka_unit_test(timed_out),     cmocka_unit_test(whole),
    };
    return cmocka_run_group_tests_name("rows added and changed in bulk", tests, load, unload);
}
