/*
 * test_change.c - rows that are changed through the cursor: SQLSetPos, SQLBulkOperations, WHERE CURRENT OF; on
 * memory and SQLite catalogs and, where TRIB_TEST_MYSQL_PORT says where one is, a MySQL server; the driver called
 * directly and through unixODBC, connected by ANSI and W calls.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/connectors/sqlite_file.h"

static Odbc direct, manager;
static Odbc *odbc; /* the one of the two under test */
static char folder[] = "/tmp/tributary_change_XXXXXX";
static const char *const catalogs[3] = {"memory", "lite", "my"};
static char connections[3][600]; /* by default catalog */
static int ncatalogs = 2;

static int load(void **state) {
    assert_non_null(mkdtemp(folder));
    const char *port = getenv("TRIB_TEST_MYSQL_PORT");
    ncatalogs = port ? 3 : 2;
    char text[1000];
    snprintf(text, sizeof text, "[Trib]\nDriver=%s\nThreading=0\n", REAL_DRIVER);
    file_write(folder, "odbcinst.ini", text);
    file_write(folder, "odbc.ini", "[ODBC Data Sources]\n");
    snprintf(text, sizeof text,
             "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" }, \"lite\": { \"type\": "
             "\"sqlite\", \"path\": \"%s/lite\", \"mode\": \"readwrite\" }, \"my\": { "
             "\"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": %s, \"user\": \"trib\", "
             "\"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\", \"default_schema\": "
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
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"odbcinst.ini", "odbc.ini", "config", "lite"};
    char path[200];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* ---- a table of goods, and a cursor over it */

#define ROWS 4

typedef struct Goods {
    SQLINTEGER id;
    char name[21];
    char price[16];
    SQLLEN id_length, name_length, price_length;
    SQLLEN bookmark;
} Goods;

static Goods rows[2 * ROWS];
static SQLUSMALLINT states[ROWS], operations[ROWS];
static SQLULEN fetched;

static void all_goods(Link *link, const char *expected) {
    value_is(link,
             "SELECT listagg(concat(CAST(id AS varchar), ':', coalesce(name, '-'), ':', "
             "coalesce(CAST(price AS varchar), '-')), ' ') WITHIN GROUP (ORDER BY id) FROM goods",
             expected);
}

static void bind_rows(Link *link) {
    set_attribute(link, SQL_ATTR_ROW_BIND_TYPE, sizeof(Goods));
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, ROWS);
    set_attribute(link, SQL_ATTR_ROW_STATUS_PTR, (SQLULEN)states);
    set_attribute(link, SQL_ATTR_ROWS_FETCHED_PTR, (SQLULEN)&fetched);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_SLONG, &rows[0].id, 0, &rows[0].id_length));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, rows[0].name, sizeof rows[0].name,
                        &rows[0].name_length));
    OK(odbc->SQLBindCol(link->stmt, 3, SQL_C_CHAR, rows[0].price, sizeof rows[0].price,
                        &rows[0].price_length));
}

static void set_text(char *out, SQLLEN *length, const char *text) {
    strcpy(out, text);
    *length = (SQLLEN)strlen(text);
}

/* Opens a cursor with rows 1 to 3 in the buffers; the fourth buffer is empty. */
static void cursor_open(Link *link, SQLULEN type) {
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, type);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    bind_rows(link);
    run_ok(link, "SELECT id, name, price FROM goods ORDER BY id");
    OK(odbc->SQLFetch(link->stmt));
    assert_int_equal(fetched, 3);
}

#define SETPOS(row, operation) odbc->SQLSetPos(link->stmt, row, operation, SQL_LOCK_NO_CHANGE)
#define BULK(operation)        odbc->SQLBulkOperations(link->stmt, operation)
#define FIRST                  "1:one:1.50 2:two:2.50 3:three:3.50"

typedef void (*Scene)(Link *link);

static void table_new(Link *link) {
    beside(link, "DROP TABLE IF EXISTS goods");
    beside(link, "CREATE TABLE goods (id integer PRIMARY KEY, name varchar(20) NOT NULL, price "
                 "decimal(10,2))");
    beside(link, "INSERT INTO goods VALUES (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)");
}

/* A scene is played with each catalog, driver and kind of connection. */
static int playing; /* on which catalog */

static void play_one(Scene scene, bool wide_connection) {
    Link link;
    link_open(&link, odbc, SQL_OV_ODBC3, connections[playing], wide_connection);
    table_new(&link);
    memset(rows, 0, sizeof rows);
    memset(operations, 0, sizeof operations);
    memset(states, 0x55, sizeof states);
    scene(&link);
    beside(&link, "DROP TABLE goods");
    link_close(&link);
}

static void play(Scene scene) {
    for (playing = 0; playing < ncatalogs; playing++) {
        for (int i = 0; i < 4; i++) {
            odbc = i & 1 ? &manager : &direct;
            play_one(scene, i >> 1);
        }
    }
}

static SQLLEN counted(Link *link) {
    SQLLEN count = -7;
    OK(odbc->SQLRowCount(link->stmt, &count));
    return count;
}

/* ---- SQL_UPDATE */

static void update_scene(Link *link) {
    cursor_open(link, SQL_CURSOR_STATIC);
    set_text(rows[1].name, &rows[1].name_length, "zwei");
    set_text(rows[1].price, &rows[1].price_length, "22.22");
    OK(SETPOS(2, SQL_UPDATE));
    assert_int_equal(states[1], SQL_ROW_UPDATED);
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    assert_int_equal(counted(link), 1);
    all_goods(link, "1:one:1.50 2:zwei:22.22 3:three:3.50");
    assert_string_equal(text_of(link, 2), "zwei"); /* the cursor is on the row and shows it */
    set_text(rows[1].name, &rows[1].name_length, "deux");
    rows[1].price_length = SQL_NULL_DATA;
    OK(SETPOS(2, SQL_UPDATE)); /* its own change is no conflict */
    all_goods(link, "1:one:1.50 2:deux:- 3:three:3.50");
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    assert_string_equal(rows[1].name, "deux");
    assert_int_equal(rows[1].price_length, SQL_NULL_DATA);
    assert_int_equal(states[1], SQL_ROW_SUCCESS);
    assert_string_equal(rows[2].name, "three");
    close_cursor(link);
}

static void update(void **state) {
    play(update_scene);
}

/* What is SQL_COLUMN_IGNORE or unbound stays; nothing left to write is 21S02. */
static void ignore_scene(Link *link) {
    cursor_open(link, SQL_CURSOR_STATIC);
    rows[0].id_length = rows[0].price_length = SQL_COLUMN_IGNORE;
    set_text(rows[0].name, &rows[0].name_length, "uno");
    rows[0].id = 77;
    OK(SETPOS(1, SQL_UPDATE));
    all_goods(link, "1:uno:1.50 2:two:2.50 3:three:3.50");
    rows[0].name_length = SQL_COLUMN_IGNORE;
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "21S02");
    assert_int_equal(states[0], SQL_ROW_ERROR);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_SLONG, NULL, 0, NULL));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, NULL, 0, NULL));
    set_text(rows[0].price, &rows[0].price_length, "9");
    OK(SETPOS(1, SQL_UPDATE));
    all_goods(link, "1:uno:9.00 2:two:2.50 3:three:3.50");
    /* what a fetch has cut is not written back */
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, rows[0].name, 3, &rows[0].name_length));
    INFO(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    FAILS(SETPOS(3, SQL_UPDATE));
    STATE_IS(link, "HY090");
    all_goods(link, "1:uno:9.00 2:two:2.50 3:three:3.50");
    close_cursor(link);
}

static void ignore(void **state) {
    play(ignore_scene);
}

/* All rows of the rowset: those to be left out are, one that fails is undone and marked, the others are changed. */
static void several_scene(Link *link) {
    SQLCHAR sqlstate[6];
    SQLLEN row = 0;
    cursor_open(link, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_ROW_OPERATION_PTR, (SQLULEN)operations);
    for (int i = 0; i < 3; i++) set_text(rows[i].name, &rows[i].name_length, "new");
    operations[0] = SQL_ROW_IGNORE;
    rows[1].name_length = SQL_NULL_DATA;
    INFO(SETPOS(0, SQL_UPDATE));
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    assert_int_equal(states[1], SQL_ROW_ERROR);
    assert_int_equal(states[2], SQL_ROW_UPDATED);
    OK(odbc->SQLGetDiagRec(SQL_HANDLE_STMT, link->stmt, 1, sqlstate, NULL, NULL, 0, NULL));
    assert_string_equal(sqlstate, "01S01");
    OK(odbc->SQLGetDiagRec(SQL_HANDLE_STMT, link->stmt, 2, sqlstate, NULL, NULL, 0, NULL));
    assert_string_equal(sqlstate, "23000");
    OK(odbc->SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, 2, SQL_DIAG_ROW_NUMBER, &row, 0, NULL));
    assert_int_equal(row, 2);
    assert_int_equal(counted(link), 1);
    all_goods(link, "1:one:1.50 2:two:2.50 3:new:3.50");
    rows[2].id = 1; /* a key that there is */
    FAILS(SETPOS(3, SQL_UPDATE));
    STATE_IS(link, "23000");
    rows[2].id = 33; /* a new key: the cursor knows it from now on */
    OK(SETPOS(3, SQL_UPDATE));
    set_text(rows[2].name, &rows[2].name_length, "newer");
    OK(SETPOS(3, SQL_UPDATE));
    all_goods(link, "1:one:1.50 2:two:2.50 33:newer:3.50");
    set_text(rows[0].price, &rows[0].price_length, "no number");
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "22018");
    set_text(rows[0].price, &rows[0].price_length, "123456789012");
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "22003");
    close_cursor(link);
}

static void several(void **state) {
    play(several_scene);
}

/* ---- SQL_DELETE */

static void delete_scene(Link *link) {
    char text[20];
    SQLLEN length;
    cursor_open(link, SQL_CURSOR_STATIC);
    OK(SETPOS(2, SQL_DELETE));
    assert_int_equal(states[1], SQL_ROW_DELETED);
    assert_int_equal(counted(link), 1);
    all_goods(link, "1:one:1.50 3:three:3.50");
    FAILS(SETPOS(2, SQL_UPDATE));
    STATE_IS(link, "HY109");
    FAILS(odbc->SQLGetData(link->stmt, 2, SQL_C_CHAR, text, sizeof text, &length));
    STATE_IS(link, "HY109");
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0)); /* it leaves a hole */
    assert_int_equal(fetched, 3);
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    assert_int_equal(states[1], SQL_ROW_DELETED);
    assert_int_equal(rows[2].id, 3);
    FAILS(SETPOS(0, SQL_DELETE) == SQL_SUCCESS_WITH_INFO ? SQL_ERROR : SQL_SUCCESS);
    assert_int_equal(states[0], SQL_ROW_DELETED);
    assert_int_equal(states[1], SQL_ROW_ERROR); /* for the second time */
    assert_int_equal(states[2], SQL_ROW_DELETED);
    value_is(link, "SELECT count(*) FROM goods", "0");
    FAILS(SETPOS(4, SQL_DELETE));
    STATE_IS(link, "HY107");
    close_cursor(link);
}

static void delete (void **state) {
    play(delete_scene);
}

/* ---- SQL_ADD */

static void add_scene(Link *link) {
    static const SQLINTEGER ids[ROWS] = {8, 9, 1, 10};
    SQLULEN offset = 0;
    Goods *more = rows + ROWS;
    cursor_open(link, SQL_CURSOR_STATIC);
    rows[3].id = 4;
    rows[3].id_length = 0;
    set_text(rows[3].name, &rows[3].name_length, "four");
    rows[3].price_length = SQL_COLUMN_IGNORE; /* its default */
    OK(SETPOS(4, SQL_ADD));
    assert_int_equal(states[3], SQL_ROW_ADDED);
    all_goods(link, FIRST " 4:four:-");
    set_attribute(link, SQL_ATTR_ROW_BIND_OFFSET_PTR, (SQLULEN)&offset);
    offset = ROWS * sizeof(Goods);
    for (int i = 0; i < ROWS; i++) {
        more[i].id = ids[i];
        set_text(more[i].name, &more[i].name_length, "more");
        set_text(more[i].price, &more[i].price_length, "0.01");
    }
    INFO(BULK(SQL_ADD)); /* there is a 1 */
    assert_int_equal(states[0], SQL_ROW_ADDED);
    assert_int_equal(states[1], SQL_ROW_ADDED);
    assert_int_equal(states[2], SQL_ROW_ERROR);
    assert_int_equal(states[3], SQL_ROW_ADDED);
    assert_int_equal(counted(link), 3);
    all_goods(link, FIRST " 4:four:- 8:more:0.01 9:more:0.01 10:more:0.01");
    close_cursor(link);
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, 1); /* before the first fetch, too */
    run_ok(link, "SELECT id, name, price FROM goods WHERE id < 0");
    more[0].id = 20;
    OK(BULK(SQL_ADD));
    assert_int_equal(counted(link), 1);
    assert_int_equal(odbc->SQLFetch(link->stmt), SQL_NO_DATA);
    value_is(link, "SELECT name FROM goods WHERE id = 20", "more");
    close_cursor(link);
}

static void add(void **state) {
    play(add_scene);
}

/* ---- bookmarks */

static void bookmarks_scene(Link *link) {
    SQLLEN marks[3];
    set_attribute(link, SQL_ATTR_USE_BOOKMARKS, SQL_UB_VARIABLE);
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    bind_rows(link);
    run_ok(link, "SELECT id, name, price FROM goods ORDER BY id");
    FAILS(BULK(SQL_DELETE_BY_BOOKMARK)); /* column 0 is not bound */
    STATE_IS(link, "HY092");
    OK(odbc->SQLBindCol(link->stmt, 0, SQL_C_VARBOOKMARK, &rows[0].bookmark, 8, NULL));
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    for (int i = 0; i < 3; i++) marks[i] = rows[i].bookmark;
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_ABSOLUTE, 3)); /* away from the first rows */
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, 2);
    rows[0].bookmark = marks[2];
    rows[1].bookmark = marks[0];
    OK(BULK(SQL_FETCH_BY_BOOKMARK));
    assert_int_equal(rows[0].id, 3);
    assert_int_equal(rows[1].id, 1);
    assert_string_equal(rows[1].name, "one");
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    set_text(rows[0].name, &rows[0].name_length, "drei");
    set_text(rows[1].name, &rows[1].name_length, "eins");
    OK(BULK(SQL_UPDATE_BY_BOOKMARK));
    assert_int_equal(states[0], SQL_ROW_UPDATED);
    assert_int_equal(states[1], SQL_ROW_UPDATED);
    all_goods(link, "1:eins:1.50 2:two:2.50 3:drei:3.50");
    rows[0].bookmark = marks[1];
    rows[1].bookmark = 99;
    INFO(BULK(SQL_DELETE_BY_BOOKMARK));
    assert_int_equal(states[0], SQL_ROW_DELETED);
    assert_int_equal(states[1], SQL_ROW_ERROR);
    assert_int_equal(counted(link), 1);
    all_goods(link, "1:eins:1.50 3:drei:3.50");
    rows[0].bookmark = marks[1];
    rows[1].bookmark = marks[0];
    OK(BULK(SQL_FETCH_BY_BOOKMARK));
    assert_int_equal(states[0], SQL_ROW_DELETED);
    assert_string_equal(rows[1].name, "eins");
    FAILS(BULK(SQL_FETCH_BY_BOOKMARK + 1));
    STATE_IS(link, "HY092");
    close_cursor(link);
}

static void bookmarks(void **state) {
    play(bookmarks_scene);
}

/* ---- others change the row, too */

static void conflict_scene(Link *link) {
    cursor_open(link, SQL_CURSOR_STATIC);
    beside(link, "UPDATE goods SET price = 100 WHERE id = 2");
    set_text(rows[1].name, &rows[1].name_length, "mine");
    INFO(SETPOS(2, SQL_UPDATE));
    STATE_IS(link, "01001");
    assert_int_equal(states[1], SQL_ROW_ERROR);
    assert_int_equal(counted(link), 0);
    all_goods(link, "1:one:1.50 2:two:100.00 3:three:3.50");
    OK(SETPOS(2, SQL_REFRESH)); /* as it is now; then it can be changed */
    assert_string_equal(rows[1].price, "100.00");
    assert_string_equal(rows[1].name, "two");
    assert_int_equal(states[1], SQL_ROW_SUCCESS);
    set_text(rows[1].name, &rows[1].name_length, "mine");
    OK(SETPOS(2, SQL_UPDATE));
    all_goods(link, "1:one:1.50 2:mine:100.00 3:three:3.50");
    beside(link, "DELETE FROM goods WHERE id = 3");
    INFO(SETPOS(3, SQL_DELETE));
    STATE_IS(link, "01001");
    OK(SETPOS(0, SQL_REFRESH));
    assert_int_equal(states[0], SQL_ROW_SUCCESS);
    assert_int_equal(states[2], SQL_ROW_DELETED);
    close_cursor(link);
}

static void conflict(void **state) {
    play(conflict_scene);
}

/* ---- data at execution */

static void pieces_scene(Link *link) {
    SQLPOINTER token;
    cursor_open(link, SQL_CURSOR_STATIC);
    rows[0].name_length = SQL_LEN_DATA_AT_EXEC(4);
    rows[0].price_length = SQL_DATA_AT_EXEC;
    assert_int_equal(SETPOS(1, SQL_UPDATE), SQL_NEED_DATA);
    FAILS(odbc->SQLFetch(link->stmt));
    STATE_IS(link, "HY010");
    FAILS(odbc->SQLPutData(link->stmt, "x", 1));
    STATE_IS(link, "HY010");
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, rows[0].name);
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "HY010");
    OK(odbc->SQLPutData(link->stmt, "in ", 3));
    OK(odbc->SQLPutData(link->stmt, "pieces", SQL_NTS));
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, rows[0].price);
    OK(odbc->SQLPutData(link->stmt, NULL, SQL_NULL_DATA));
    OK(odbc->SQLParamData(link->stmt, &token));
    assert_int_equal(states[0], SQL_ROW_UPDATED);
    all_goods(link, "1:in pieces:- 2:two:2.50 3:three:3.50");
    assert_string_equal(text_of(link, 2), "in pieces");
    /* given up: nothing has changed, and the cursor is where it was */
    rows[1].name_length = SQL_DATA_AT_EXEC;
    assert_int_equal(SETPOS(2, SQL_UPDATE), SQL_NEED_DATA);
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    OK(odbc->SQLPutData(link->stmt, "lost", 4));
    OK(odbc->SQLCancel(link->stmt));
    all_goods(link, "1:in pieces:- 2:two:2.50 3:three:3.50");
    if (odbc == &direct) OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST, 0));
    OK(odbc->SQLFreeStmt(link->stmt, SQL_CLOSE));
}

static void pieces(void **state) {
    play(pieces_scene);
}

/* Several rows wait one after the other, with SQLBulkOperations. */
static void pieces_bulk_scene(Link *link) {
    SQLPOINTER token;
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    bind_rows(link);
    set_attribute(link, SQL_ATTR_ROW_ARRAY_SIZE, 3);
    run_ok(link, "SELECT id, name, price FROM goods");
    for (int i = 0; i < 3; i++) {
        rows[i].id = 10 + i;
        rows[i].name_length = i == 1 ? 3 : SQL_DATA_AT_EXEC;
        strcpy(rows[i].name, "now");
        rows[i].price_length = SQL_NULL_DATA;
    }
    assert_int_equal(BULK(SQL_ADD), SQL_NEED_DATA);
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, rows[0].name);
    OK(odbc->SQLPutData(link->stmt, "first", 5));
    assert_int_equal(odbc->SQLParamData(link->stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, rows[2].name);
    OK(odbc->SQLPutData(link->stmt, "third", 5));
    OK(odbc->SQLParamData(link->stmt, &token));
    assert_int_equal(counted(link), 3);
    all_goods(link, FIRST " 10:first:- 11:now:- 12:third:-");
    close_cursor(link);
}

static void pieces_bulk(void **state) {
    play(pieces_bulk_scene);
}

/* ---- what cannot be changed, and why */

static void refused_scene(Link *link) {
    static const struct {
        const char *sql, *why;
    } queries[] = {
        {"SELECT DISTINCT name FROM goods", "groups of rows"},
        {"SELECT name, count(*) FROM goods GROUP BY name", "groups of rows"},
        {"SELECT count(*) FROM goods", "aggregates"},
        {"SELECT a.id FROM goods AS a JOIN goods AS b ON a.id = b.id", "one table"},
        {"SELECT id FROM (SELECT id FROM goods)", "one table"},
        {"SELECT id FROM goods UNION ALL SELECT 1", "no plain SELECT"},
        {"WITH g AS (SELECT id FROM goods) SELECT id FROM g", "no plain SELECT"},
        {"SELECT table_name FROM information_schema.tables WHERE table_name = 'goods'",
         "cannot be written to"},
        {"VALUES 1", "no plain SELECT"},
    };
    SQLULEN concurrency;
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        INFO(run(link, queries[i].sql));
        STATE_IS(link, "01S02");
        if (!strstr(diag_message(), queries[i].why))
            fail_msg("%s: %s", queries[i].sql, diag_message());
        OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, &concurrency, 0, NULL));
        assert_int_equal(concurrency, SQL_CONCUR_READ_ONLY);
        OK(odbc->SQLFetch(link->stmt));
        FAILS(SETPOS(1, SQL_DELETE));
        STATE_IS(link, "HYC00");
        close_cursor(link);
        OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, &concurrency, 0, NULL));
        assert_int_equal(concurrency, SQL_CONCUR_VALUES);
    }
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_READ_ONLY); /* the default */
    run_ok(link, "SELECT id FROM goods");
    OK(odbc->SQLFetch(link->stmt));
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "HY092");
    FAILS(BULK(SQL_ADD));
    STATE_IS(link, "HY092");
    FAILS(odbc->SQLSetPos(link->stmt, 1, SQL_POSITION, SQL_LOCK_EXCLUSIVE));
    STATE_IS(link, "HYC00");
    FAILS(odbc->SQLSetPos(link->stmt, 1, 9, SQL_LOCK_NO_CHANGE));
    STATE_IS(link, "HY092");
    close_cursor(link);
    value_is(link, "SELECT count(*) FROM goods", "3");
}

static void refused(void **state) {
    play(refused_scene);
}

/* Rows of a table without a primary key: SQLite finds them by their rowid, the others not at all. */
static void keyless_scene(Link *link) {
    beside(link, "CREATE TABLE loose (a varchar(10))");
    beside(link, "INSERT INTO loose VALUES ('x'), ('x')");
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    if (strcmp(catalogs[playing], "lite") == 0) {
        char text[11];
        SQLLEN length = 0;
        OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
        run_ok(link, "SELECT a FROM loose");
        OK(odbc->SQLFetch(link->stmt));
        set_text(text, &length, "y");
        OK(SETPOS(1, SQL_UPDATE));
        value_is(link, "SELECT count(*) FROM loose WHERE a = 'y'", "1");
        OK(odbc->SQLFetch(link->stmt));
        OK(SETPOS(1, SQL_DELETE));
        value_is(link, "SELECT count(*) FROM loose", "1");
    } else {
        INFO(run(link, "SELECT a FROM loose"));
        STATE_IS(link, "01S02");
        assert_non_null(strstr(diag_message(), "primary key"));
    }
    close_cursor(link);
    OK(odbc->SQLFreeStmt(link->stmt, SQL_UNBIND));
    run_ok(link, "DROP TABLE loose");
}

static void keyless(void **state) {
    play(keyless_scene);
}

/* ---- what is described, attributes */

static SQLLEN updatable(Link *link, SQLUSMALLINT column) {
    SQLLEN value = -1;
    OK(odbc->SQLColAttribute(link->stmt, column, SQL_DESC_UPDATABLE, NULL, 0, NULL, &value));
    return value;
}

static void attributes_scene(Link *link) {
    SQLULEN value;
    OK(odbc->SQLPrepare(link->stmt, (SQLCHAR *)"SELECT id, price * 2 FROM goods", SQL_NTS));
    assert_int_equal(updatable(link, 1), SQL_ATTR_READWRITE_UNKNOWN); /* by UPDATE, not here */
    assert_int_equal(updatable(link, 2), SQL_ATTR_READONLY);
    OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, link->stmt));
    OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
    static const SQLULEN others[] = {SQL_CONCUR_LOCK, SQL_CONCUR_ROWVER};
    for (int i = 0; i < 2; i++) {
        INFO(odbc->SQLSetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)others[i], 0));
        STATE_IS(link, "01S02");
        OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, &value, 0, NULL));
        assert_int_equal(value, SQL_CONCUR_VALUES);
    }
    INFO(odbc->SQLSetStmtAttr(link->stmt, SQL_ATTR_CURSOR_TYPE,
                              (SQLPOINTER)SQL_CURSOR_KEYSET_DRIVEN, 0));
    OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CURSOR_TYPE, &value, 0, NULL));
    assert_int_equal(value, SQL_CURSOR_STATIC);
    OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CURSOR_SENSITIVITY, &value, 0, NULL));
    assert_int_equal(value, SQL_UNSPECIFIED);
    OK(odbc->SQLPrepare(link->stmt, (SQLCHAR *)"SELECT id, price * 2, name FROM goods", SQL_NTS));
    assert_int_equal(updatable(link, 1), SQL_ATTR_WRITE);
    assert_int_equal(updatable(link, 2), SQL_ATTR_READONLY);
    SQLSMALLINT count;
    OK(odbc->SQLNumResultCols(link->stmt, &count)); /* the key that was added does not show */
    assert_int_equal(count, 3);
    OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, link->stmt));
    OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    set_attribute(link, SQL_ATTR_CURSOR_SENSITIVITY, SQL_INSENSITIVE);
    OK(odbc->SQLGetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, &value, 0, NULL));
    assert_int_equal(value, SQL_CONCUR_READ_ONLY);
}

static void attributes(void **state) {
    play(attributes_scene);
}

/* ---- every type: what was read is written back as it was, and found again by its value */

typedef struct TypeRow {
    const char *type, *value;
    const char *other; /* what is written then, as text */
    const char *shown; /* as it is read back */
    uint8_t catalogs;  /* bits: of memory, lite, my */
} TypeRow;

static const TypeRow types[] = {
    {"boolean", "true", "0", "0", 7},
    {"smallint", "-7", "12", "12", 7},
    {"integer", "70000", "-1", "-1", 7},
    {"bigint", "9007199254740993", "9007199254740995", "9007199254740995", 7},
    {"real", "REAL '0.1'", "0.2", "0.2", 5},
    {"double", "0.1e0", "1e-300", "1.0E-300", 7},
    {"decimal(10,2)", "1.10", "2.05", "2.05", 7},
    {"decimal(30,10)", "12345678901234567890.0123456789", "0.5", "0.5000000000", 7},
    {"varchar(20)", "'a  '", "B", "B", 7},
    {"char(5)", "'ab'", "c", "c", 7},
    {"varchar(20)", "U&'gr\\00FC\\00DFe \\+01F600'", "\xC3\xA9", "\xC3\xA9", 7},
    {"varchar", "''", "more than what was there", "more than what was there", 7},
    {"varbinary", "X'00FF61'", "0041", "0041", 7},
    {"date", "DATE '0001-01-01'", "2024-02-29", "2024-02-29", 3},
    {"date", "DATE '1969-12-31'", "2024-02-29", "2024-02-29", 7},
    {"time(0)", "TIME '23:59:59'", "00:00:01", "00:00:01", 3},
    {"timestamp(3)", "TIMESTAMP '2024-01-02 03:04:05.678'", "2024-01-02 03:04:05",
     "2024-01-02 03:04:05.000", 7},
    {"timestamp(6)", "TIMESTAMP '1999-12-31 23:59:59.999999'", "2024-01-02 03:04:05.000001",
     "2024-01-02 03:04:05.000001", 7},
    {"uuid", "UUID '12345678-9abc-def0-1234-56789abcdef0'", "00000000-0000-0000-0000-000000000001",
     "00000000-0000-0000-0000-000000000001", 1},
    {"interval day to second", "INTERVAL '1 02:03:04.5' DAY TO SECOND", "0 00:00:01",
     "0 00:00:01.000", 1},
};

/* In the C type that is the column's own, as a program binds it that copies rows. */
static void type_kept(Link *link, const TypeRow *row) {
    unsigned char value[200];
    SQLLEN length = 0;
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_DEFAULT, value, sizeof value, &length));
    run_ok(link, "SELECT v FROM typed");
    SQLRETURN result = odbc->SQLFetch(link->stmt);
    if (result == SQL_SUCCESS) result = SETPOS(1, SQL_UPDATE);
    if (result != SQL_SUCCESS)
        fail_msg("%s %s: %d %s %s", row->type, row->value, result,
                 diag_of(odbc, SQL_HANDLE_STMT, link->stmt), diag_message());
    OK(odbc->SQLFreeStmt(link->stmt, SQL_UNBIND));
    close_cursor(link);
}

static void type_written(Link *link, const TypeRow *row) {
    char text[200];
    SQLLEN length = 0;
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
    run_ok(link, "SELECT v FROM typed");
    OK(odbc->SQLFetch(link->stmt));
    set_text(text, &length, row->other);
    SQLRETURN result = SETPOS(1, SQL_UPDATE);
    if (result != SQL_SUCCESS)
        fail_msg("%s %s: %d %s %s", row->type, row->other, result,
                 diag_of(odbc, SQL_HANDLE_STMT, link->stmt), diag_message());
    assert_string_equal(text_of(link, 1), row->shown);
    OK(SETPOS(1, SQL_DELETE));
    OK(odbc->SQLFreeStmt(link->stmt, SQL_UNBIND));
    close_cursor(link);
}

static void types_scene(Link *link) {
    char sql[300];
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!(types[i].catalogs >> playing & 1)) continue;
        snprintf(sql, sizeof sql, "CREATE TABLE typed (id integer PRIMARY KEY, v %s)",
                 types[i].type);
        beside(link, sql);
        snprintf(sql, sizeof sql, "INSERT INTO typed VALUES (1, %s)", types[i].value);
        beside(link, sql);
        type_kept(link, &types[i]);
        snprintf(sql, sizeof sql, "SELECT count(*) FROM typed WHERE v = %s", types[i].value);
        value_is(link, sql, "1");
        type_written(link, &types[i]);
        value_is(link, "SELECT count(*) FROM typed", "0");
        beside(link, "DROP TABLE typed");
    }
}

static void every_type(void **state) {
    for (playing = 0; playing < ncatalogs; playing++) {
        odbc = &direct;
        play_one(types_scene, false);
    }
}

/* A table that others made: columns that SQLite computes, numbers of which it keeps 15 digits. */
static void foreign_scene(Link *link) {
    SQLINTEGER number = 0, doubled = 0;
    SQLLEN number_length = 0, doubled_length = 0;
    char digits[60];
    SQLLEN digits_length = 0;
    sqlite_file_make(folder, "lite",
                     "CREATE TABLE theirs (n INTEGER PRIMARY KEY, doubled INTEGER GENERATED ALWAYS "
                     "AS (n * 2) VIRTUAL, digits DECIMAL(30,10)); INSERT INTO theirs (n, digits) "
                     "VALUES (1, 1.5)");
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_SLONG, &number, 0, &number_length));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_SLONG, &doubled, 0, &doubled_length));
    OK(odbc->SQLBindCol(link->stmt, 3, SQL_C_CHAR, digits, sizeof digits, &digits_length));
    run_ok(link, "SELECT n, doubled, digits FROM theirs");
    assert_int_equal(updatable(link, 2), SQL_ATTR_READONLY);
    OK(odbc->SQLFetch(link->stmt));
    number = 21;
    OK(SETPOS(1, SQL_UPDATE)); /* what is computed is not written, and shown as it is then */
    assert_string_equal(text_of(link, 2), "42");
    set_text(digits, &digits_length, "1234567890.1234567");
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "HYC00");
    set_text(digits, &digits_length, "9007199254740993.0");
    FAILS(SETPOS(1, SQL_UPDATE));
    STATE_IS(link, "HYC00");
    set_text(digits, &digits_length, "12345.6789012345");
    OK(SETPOS(1, SQL_UPDATE));
    assert_string_equal(text_of(link, 3), "12345.6789012345");
    OK(odbc->SQLFreeStmt(link->stmt, SQL_UNBIND));
    close_cursor(link);
    beside(link, "DROP TABLE theirs");
}

static void foreign(void **state) {
    playing = 1;
    odbc = &direct;
    play_one(foreign_scene, false);
}

/* A key of several columns, texts among them. */
static void composite_scene(Link *link) {
    char text[21];
    SQLLEN length = 0;
    beside(link, "CREATE TABLE pairs (a varchar(10), b date, v varchar(20), PRIMARY KEY (a, b))");
    beside(link, "INSERT INTO pairs VALUES ('it''s \"', DATE '2024-01-01', 'x'), ('it''s \"', DATE "
                 "'2024-01-02', 'y')");
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_CHAR, text, sizeof text, &length));
    run_ok(link, "SELECT v FROM pairs ORDER BY b DESC");
    OK(odbc->SQLFetch(link->stmt));
    set_text(text, &length, "'; DROP TABLE goods");
    OK(SETPOS(1, SQL_UPDATE));
    value_is(link, "SELECT v FROM pairs WHERE b = DATE '2024-01-02'", "'; DROP TABLE goods");
    value_is(link, "SELECT v FROM pairs WHERE b = DATE '2024-01-01'", "x");
    OK(odbc->SQLFreeStmt(link->stmt, SQL_UNBIND));
    close_cursor(link);
    beside(link, "DROP TABLE pairs");
}

static void composite(void **state) {
    play(composite_scene);
}

/* What SQLGetInfo claims, and not on a connection that only reads. */
static void info_scene(Link *link) {
    static const struct {
        SQLUSMALLINT type;
        SQLUINTEGER bits;
    } claims[] = {
        {SQL_POS_OPERATIONS, SQL_POS_UPDATE | SQL_POS_DELETE | SQL_POS_ADD},
        {SQL_SCROLL_CONCURRENCY, SQL_SCCO_OPT_VALUES},
        {SQL_POSITIONED_STATEMENTS, SQL_PS_POSITIONED_DELETE | SQL_PS_POSITIONED_UPDATE},
        {SQL_STATIC_SENSITIVITY, SQL_SS_UPDATES},
        {SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES1, SQL_CA1_POS_UPDATE | SQL_CA1_POS_DELETE |
                                                  SQL_CA1_POSITIONED_UPDATE |
                                                  SQL_CA1_POSITIONED_DELETE | SQL_CA1_BULK_ADD},
        {SQL_STATIC_CURSOR_ATTRIBUTES1, SQL_CA1_POS_UPDATE | SQL_CA1_POS_DELETE |
                                            SQL_CA1_POSITIONED_UPDATE | SQL_CA1_POSITIONED_DELETE |
                                            SQL_CA1_BULK_ADD | SQL_CA1_BULK_UPDATE_BY_BOOKMARK |
                                            SQL_CA1_BULK_DELETE_BY_BOOKMARK},
        {SQL_STATIC_CURSOR_ATTRIBUTES2,
         SQL_CA2_OPT_VALUES_CONCURRENCY | SQL_CA2_SENSITIVITY_UPDATES | SQL_CA2_SIMULATE_UNIQUE},
    };
    for (SQLULEN mode = 0; mode <= 1; mode++) {
        SQLCHAR read_only[2];
        OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)mode, 0));
        for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
            SQLUINTEGER value = 0;
            OK(odbc->SQLGetInfo(link->dbc, claims[i].type, &value, sizeof value, NULL));
            assert_int_equal(value & claims[i].bits,
                             mode == SQL_MODE_READ_ONLY ? 0 : claims[i].bits);
        }
        OK(odbc->SQLGetInfo(link->dbc, SQL_DATA_SOURCE_READ_ONLY, read_only, 2, NULL));
        assert_string_equal((char *)read_only, mode == SQL_MODE_READ_ONLY ? "Y" : "N");
    }
    cursor_open(
        link, SQL_CURSOR_STATIC); /* the connection reads; its cursors may be asked all the same */
    FAILS(SETPOS(1, SQL_DELETE));
    STATE_IS(link, "25006");
    close_cursor(link);
    OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE,
                               0));
}

static void info(void **state) {
    play(info_scene);
}

/* Polled to its end; test_bulk.c looks at what is so in between. */
static void asynchronous_scene(Link *link) {
    SQLRETURN result;
    cursor_open(link, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_ON);
    set_text(rows[0].name, &rows[0].name_length, "polled");
    while ((result = SETPOS(1, SQL_UPDATE)) == SQL_STILL_EXECUTING) {
    }
    OK(result);
    set_attribute(link, SQL_ATTR_ASYNC_ENABLE, SQL_ASYNC_ENABLE_OFF);
    all_goods(link, "1:polled:1.50 2:two:2.50 3:three:3.50");
    close_cursor(link);
}

static void asynchronous(void **state) {
    play(asynchronous_scene);
}

/* A computed column is not written and keeps what it said; the key need not be among the columns. */
static void hidden_key_scene(Link *link) {
    char name[21], twice[20];
    SQLLEN name_length, twice_length;
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_CHAR, twice, sizeof twice, &twice_length));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, name, sizeof name, &name_length));
    run_ok(link,
           "SELECT price * 2 AS twice, name AS label FROM goods WHERE id > 1 ORDER BY id DESC");
    for (int i = 0; i < 2; i++) {
        OK(odbc->SQLFetch(link->stmt));
        set_text(name, &name_length, i ? "B" : "A");
        OK(SETPOS(1, SQL_UPDATE));
    }
    all_goods(link, "1:one:1.50 2:B:2.50 3:A:3.50");
    assert_int_equal(odbc->SQLFetch(link->stmt), SQL_NO_DATA);
    close_cursor(link);
}

static void hidden_key(void **state) {
    play(hidden_key_scene);
}

/* ---- transactions */

static void transaction_scene(Link *link) {
    OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    cursor_open(link, SQL_CURSOR_STATIC);
    set_text(rows[0].name, &rows[0].name_length, "kept");
    OK(SETPOS(1, SQL_UPDATE));
    rows[1].name_length = SQL_NULL_DATA;
    FAILS(SETPOS(2, SQL_UPDATE)); /* takes back its own part only */
    STATE_IS(link, "23000");
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_COMMIT));
    all_goods(link, "1:kept:1.50 2:two:2.50 3:three:3.50");
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_COMMIT));
    set_text(rows[0].name, &rows[0].name_length, "undone");
    OK(SETPOS(1, SQL_UPDATE)); /* the cursor outlives a commit, */
    OK(SETPOS(3, SQL_DELETE));
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_ROLLBACK));
    all_goods(link, "1:kept:1.50 2:two:2.50 3:three:3.50");
    OK(odbc->SQLFetchScroll(link->stmt, SQL_FETCH_FIRST,
                            0)); /* and a rollback takes back what it shows */
    assert_string_equal(rows[0].name, "kept");
    assert_int_equal(states[2], SQL_ROW_SUCCESS);
    assert_int_equal(rows[2].id, 3);
    set_text(rows[0].name, &rows[0].name_length, "again");
    OK(SETPOS(1, SQL_UPDATE));
    OK(SETPOS(3, SQL_DELETE));
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_COMMIT));
    all_goods(link, "1:again:1.50 2:two:2.50");
    close_cursor(link);
    OK(odbc->SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_COMMIT));
    OK(odbc->SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_ON, 0));
}

static void transaction(void **state) {
    play(transaction_scene);
}

/* ---- WHERE CURRENT OF */

static void positioned_scene(Link *link) {
    SQLHSTMT cursor = link->stmt, other;
    SQLCHAR name[64];
    OK(odbc->SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &other));
    OK(odbc->SQLSetCursorName(cursor, (SQLCHAR *)"The Goods", SQL_NTS));
    FAILS(odbc->SQLSetCursorName(other, (SQLCHAR *)"the goods", SQL_NTS));
    assert_string_equal(diag_of(odbc, SQL_HANDLE_STMT, other), "3C000");
    OK(odbc->SQLGetCursorName(cursor, name, sizeof name, NULL));
    assert_string_equal((char *)name, "The Goods");
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    link->stmt = other;
    FAILS(run(link, "UPDATE goods SET name = 'x' WHERE CURRENT OF \"The Goods\""));
    STATE_IS(link, "34000"); /* it is not open */
    FAILS(run(link, "UPDATE goods SET name = 'x' WHERE CURRENT OF nobody"));
    STATE_IS(link, "34000");
    link->stmt = cursor;
    run_ok(link, "SELECT id, name, price FROM goods ORDER BY id");
    link->stmt = other;
    FAILS(run(link, "DELETE FROM goods WHERE CURRENT OF \"The Goods\""));
    STATE_IS(link, "24000"); /* it is on no row */
    OK(odbc->SQLFetch(cursor));
    OK(odbc->SQLFetch(cursor));
    run_ok(link, "UPDATE goods SET price = price + 1 WHERE CURRENT OF \"The Goods\";");
    assert_int_equal(counted(link), 1);
    all_goods(link, "1:one:1.50 2:two:3.50 3:three:3.50");
    link->stmt = cursor;
    assert_string_equal(text_of(link, 3), "3.50"); /* the cursor shows it */
    link->stmt = other;
    SQLINTEGER given = 9;
    SQLSMALLINT parameters;
    OK(odbc->SQLPrepare(
        other, (SQLCHAR *)"update goods set price = ? where current of \"the goods\"", SQL_NTS));
    OK(odbc->SQLNumParams(other, &parameters));
    assert_int_equal(parameters, 1);
    OK(odbc->SQLBindParameter(other, 1, SQL_PARAM_INPUT, SQL_C_SLONG, SQL_INTEGER, 0, 0, &given, 0,
                              NULL));
    OK(odbc->SQLExecute(other));
    OK(odbc->SQLFetch(cursor));
    given = 8;
    OK(odbc->SQLExecute(other)); /* the row that the cursor is on now */
    all_goods(link, "1:one:1.50 2:two:9.00 3:three:8.00");
    beside(link, "UPDATE goods SET name = 'theirs' WHERE id = 3");
    INFO(odbc->SQLExecute(other));
    STATE_IS(link, "01001");
    OK(odbc->SQLFreeStmt(other, SQL_RESET_PARAMS));
    run_ok(link,
           "CREATE TABLE bads (id integer PRIMARY KEY, name varchar(20), price decimal(10,2))");
    FAILS(run(link, "DELETE FROM bads WHERE CURRENT OF \"The Goods\""));
    STATE_IS(link, "42000");
    run_ok(link, "DROP TABLE bads");
    OK(odbc->SQLFreeStmt(cursor, SQL_CLOSE));
    link->stmt = cursor;
    run_ok(link, "SELECT name FROM goods ORDER BY id");
    OK(odbc->SQLFetch(cursor));
    link->stmt = other;
    run_ok(link, "DELETE FROM goods WHERE CURRENT OF \"The Goods\"");
    all_goods(link, "2:two:9.00 3:theirs:8.00");
    FAILS(run(link, "DELETE FROM goods WHERE CURRENT OF \"The Goods\""));
    STATE_IS(link, "HY109"); /* it has been deleted */
    OK(odbc->SQLFreeHandle(SQL_HANDLE_STMT, other));
    link->stmt = cursor;
    close_cursor(link);
}

static void positioned(void **state) {
    play(positioned_scene);
}

/* ---- programs of version 2 */

static void old_scene(Link *unused) {
    Link own, *link = &own;
    (void)unused;
    link_open(link, odbc, SQL_OV_ODBC2, connections[playing], false);
    SQLULEN count = 0;
    set_attribute(link, SQL_ATTR_CURSOR_TYPE, SQL_CURSOR_STATIC);
    set_attribute(link, SQL_ATTR_CONCURRENCY, SQL_CONCUR_VALUES);
    set_attribute(link, SQL_ATTR_ROW_BIND_TYPE, sizeof(Goods));
    set_attribute(link, SQL_ROWSET_SIZE, ROWS);
    OK(odbc->SQLBindCol(link->stmt, 1, SQL_C_SLONG, &rows[0].id, 0, &rows[0].id_length));
    OK(odbc->SQLBindCol(link->stmt, 2, SQL_C_CHAR, rows[0].name, sizeof rows[0].name,
                        &rows[0].name_length));
    OK(odbc->SQLBindCol(link->stmt, 3, SQL_C_CHAR, rows[0].price, sizeof rows[0].price,
                        &rows[0].price_length));
    run_ok(link, "SELECT id, name, price FROM goods ORDER BY id");
    OK(odbc->SQLExtendedFetch(link->stmt, SQL_FETCH_NEXT, 0, &count, states));
    assert_int_equal(count, 3);
    set_text(rows[0].name, &rows[0].name_length, "old");
    OK(SETPOS(1, SQL_UPDATE));
    assert_int_equal(states[0], SQL_ROW_UPDATED);
    OK(SETPOS(2, SQL_DELETE));
    assert_int_equal(states[1], SQL_ROW_DELETED);
    rows[3].id = 4;
    set_text(rows[3].name, &rows[3].name_length, "four");
    set_text(rows[3].price, &rows[3].price_length, "4");
    OK(SETPOS(4, SQL_ADD));
    assert_int_equal(states[3], SQL_ROW_ADDED);
    all_goods(link, "1:old:1.50 3:three:3.50 4:four:4.00");
    link_close(link);
}

static void old(void **state) {
    play(old_scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(update),     cmocka_unit_test(ignore),      cmocka_unit_test(several),
        cmocka_unit_test(delete),     cmocka_unit_test(add),         cmocka_unit_test(bookmarks),
        cmocka_unit_test(conflict),   cmocka_unit_test(pieces),      cmocka_unit_test(pieces_bulk),
        cmocka_unit_test(refused),    cmocka_unit_test(keyless),     cmocka_unit_test(attributes),
        cmocka_unit_test(hidden_key), cmocka_unit_test(transaction), cmocka_unit_test(positioned),
        cmocka_unit_test(old),        cmocka_unit_test(info),        cmocka_unit_test(every_type),
        cmocka_unit_test(composite),  cmocka_unit_test(foreign),     cmocka_unit_test(asynchronous),
    };
    return cmocka_run_group_tests_name("rows changed through the cursor", tests, load, unload);
}
