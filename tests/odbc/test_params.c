/*
 * test_params.c - arrays of parameters and data at execution, stored in tables of memory and of SQLite and
 * asked of queries: bindings by column and by row, offsets, status and operation arrays, partial failure,
 * results one after the other, values in parts, cancelling in between.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SETS 5000

static Odbc odbc;
static char config[] = "/tmp/tributary_config_XXXXXX";
static char lite_file[] = "/tmp/tributary_params_XXXXXX";
static char connection[500];

static int load(void **state) {
    char text[300];
    file_new(lite_file, "");
    snprintf(text, sizeof text,
             "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" }, \"lite\": { \"type\": "
             "\"sqlite\", \"path\": \"%s\", \"mode\": \"readwrite\" } } }\n",
             lite_file);
    file_new(config, text);
    connection_string(connection, sizeof connection, config, CONNECTOR_PATH, "memory");
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    unlink(config);
    unlink(lite_file);
    return 0;
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, connection, false);
}

static void set(Link *link, SQLINTEGER attribute, void *value) {
    OK(odbc.SQLSetStmtAttr(link->stmt, attribute, value, 0));
}

static void bind(Link *link, SQLUSMALLINT number, SQLSMALLINT ctype, SQLSMALLINT type, SQLULEN size,
                 SQLSMALLINT digits, void *data, SQLLEN capacity, SQLLEN *length) {
    OK(odbc.SQLBindParameter(link->stmt, number, SQL_PARAM_INPUT, ctype, type, size, digits, data,
                             capacity, length));
}

static SQLLEN rows_written(Link *link) {
    SQLLEN rows = -7;
    OK(odbc.SQLRowCount(link->stmt, &rows));
    return rows;
}

/* The first column of the first row of a query, on a statement of its own. */
static const char *answer(Link *link, const char *sql) {
    Link other = *link;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &other.stmt));
    run_ok(&other, sql);
    OK(odbc.SQLFetch(other.stmt));
    const char *text = text_of(&other, 1);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, other.stmt));
    return text;
}

static SQLLEN diag_row(Link *link, SQLSMALLINT record) {
    SQLLEN row = -7;
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link->stmt, record, SQL_DIAG_ROW_NUMBER, &row, 0,
                            NULL));
    return row;
}

/* ---- INSERT */

typedef struct Columns {
    SQLBIGINT id[SETS];
    SQLINTEGER number[SETS];
    SQLSMALLINT small[SETS];
    double real[SETS];
    char text[SETS][24];
    SQLWCHAR wide[SETS][16];
    SQL_DATE_STRUCT day[SETS];
    SQL_TIMESTAMP_STRUCT at[SETS];
    unsigned char bytes[SETS][4];
    char price[SETS][12];
    SQLLEN lengths[10][SETS];
} Columns;

static const char table[] =
    "CREATE TABLE wide_rows (id bigint, number integer, small smallint, real "
    "double, text varchar(30), wide varchar, day date, at timestamp(6), "
    "bytes varbinary, price decimal(12,2))";
static const char insert[] = "INSERT INTO wide_rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/* Row i: every seventh text NULL, wide ends in a character beyond the BMP. */
static void columns_fill(Columns *c) {
    for (int i = 0; i < SETS; i++) {
        c->id[i] = i;
        c->number[i] = i * 3 - 100;
        c->small[i] = (SQLSMALLINT)(i % 100);
        c->real[i] = i / 4.0;
        snprintf(c->text[i], sizeof c->text[i], "text of row %d", i);
        static const SQLWCHAR wide_text[] = {'w', 0xE9, 0xD83D, 0xDE00, 0};
        memcpy(c->wide[i], wide_text, sizeof wide_text);
        c->day[i] = (SQL_DATE_STRUCT){2024, 2, (SQLUSMALLINT)(1 + i % 29)};
        c->at[i] = (SQL_TIMESTAMP_STRUCT){2024, 1, 15, 10, 30, (SQLUSMALLINT)(i % 60), 123456000};
        memcpy(c->bytes[i], (unsigned char[]){1, 0, 2, (unsigned char)i}, 4);
        snprintf(c->price[i], sizeof c->price[i], "%d.%02d", i, i % 100);
        for (int k = 0; k < 10; k++) c->lengths[k][i] = 0;
        c->lengths[4][i] = i % 7 == 0 ? SQL_NULL_DATA : SQL_NTS;
        c->lengths[5][i] = i % 2 ? SQL_NTS : 8;
        c->lengths[8][i] = 4;
        c->lengths[9][i] = SQL_NTS;
    }
}

static void columns_bind(Link *link, Columns *c) {
    bind(link, 1, SQL_C_SBIGINT, SQL_BIGINT, 0, 0, c->id, 0, NULL);
    bind(link, 2, SQL_C_SLONG, SQL_INTEGER, 0, 0, c->number, 0, c->lengths[1]);
    bind(link, 3, SQL_C_SSHORT, SQL_SMALLINT, 0, 0, c->small, 0, c->lengths[2]);
    bind(link, 4, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, c->real, 0, c->lengths[3]);
    bind(link, 5, SQL_C_CHAR, SQL_VARCHAR, 30, 0, c->text, sizeof c->text[0], c->lengths[4]);
    bind(link, 6, SQL_C_WCHAR, SQL_WVARCHAR, 16, 0, c->wide, sizeof c->wide[0], c->lengths[5]);
    bind(link, 7, SQL_C_TYPE_DATE, SQL_TYPE_DATE, 10, 0, c->day, 0, c->lengths[6]);
    bind(link, 8, SQL_C_TYPE_TIMESTAMP, SQL_TYPE_TIMESTAMP, 26, 6, c->at, 0, c->lengths[7]);
    bind(link, 9, SQL_C_BINARY, SQL_VARBINARY, 4, 0, c->bytes, sizeof c->bytes[0], c->lengths[8]);
    bind(link, 10, SQL_C_CHAR, SQL_DECIMAL, 12, 2, c->price, sizeof c->price[0], c->lengths[9]);
}

static void insert_by_column(void **state) {
    Link link;
    Columns *c = calloc(1, sizeof *c);
    SQLUSMALLINT *status = calloc(SETS, sizeof *status);
    SQLULEN processed = 0;
    open3(&link);
    run_ok(&link, table);
    columns_fill(c);
    columns_bind(&link, c);
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)SETS);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    set(&link, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)(uintptr_t)insert, SQL_NTS));
    OK(odbc.SQLExecute(link.stmt));
    assert_int_equal(rows_written(&link), SETS);
    assert_int_equal(processed, SETS);
    for (int i = 0; i < SETS; i++) assert_int_equal(status[i], SQL_PARAM_SUCCESS);
    assert_string_equal(answer(&link, "SELECT count(*) FROM wide_rows WHERE number = id * 3 - 100 "
                                      "AND small = id % 100 AND real = id / 4e0 AND day = DATE "
                                      "'2024-02-01' + id % 29 * INTERVAL '1' DAY"),
                        "5000");
    assert_string_equal(answer(&link, "SELECT count(*) FROM wide_rows WHERE text = 'text of row ' "
                                      "|| CAST(id AS varchar) AND id % 7 <> 0"),
                        "4285");
    assert_string_equal(answer(&link, "SELECT count(*) FROM wide_rows WHERE text IS NULL"), "715");
    assert_string_equal(answer(&link, "SELECT min(wide) || max(wide) FROM wide_rows"),
                        "w\xC3\xA9\xF0\x9F\x98\x80w\xC3\xA9\xF0\x9F\x98\x80");
    assert_string_equal(answer(&link, "SELECT CAST(at AS varchar) FROM wide_rows WHERE id = 61"),
                        "2024-01-15 10:30:01.123456");
    assert_string_equal(answer(&link, "SELECT to_hex(bytes) FROM wide_rows WHERE id = 255"),
                        "010002FF");
    assert_string_equal(answer(&link, "SELECT price FROM wide_rows WHERE id = 4999"), "4999.99");
    run_ok(&link, "DROP TABLE wide_rows");
    link_close(&link);
    free(status);
    free(c);
}

typedef struct Row {
    SQLLEN id_length;
    SQLINTEGER id;
    char text[9];
    SQLLEN text_length;
} Row;

static void insert_by_row(void **state) {
    Link link;
    Row rows[8];
    SQLLEN offset = 0;
    open3(&link);
    run_ok(&link, "CREATE TABLE by_row (id integer, text varchar(9))");
    for (int i = 0; i < 8; i++) {
        rows[i] = (Row){.id = i, .text_length = i == 5 ? SQL_NULL_DATA : i};
        memcpy(rows[i].text, "abcdefgh", 9);
    }
    set(&link, SQL_ATTR_PARAM_BIND_TYPE, (SQLPOINTER)sizeof(Row));
    set(&link, SQL_ATTR_PARAM_BIND_OFFSET_PTR, &offset);
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)4);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &rows[0].id, 0, &rows[0].id_length);
    bind(&link, 2, SQL_C_CHAR, SQL_VARCHAR, 9, 0, rows[0].text, 9, &rows[0].text_length);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO by_row (id, text) VALUES (? * 10, ?)",
                       SQL_NTS));
    OK(odbc.SQLExecute(link.stmt));
    assert_int_equal(rows_written(&link), 4);
    offset = 4 * sizeof(Row);
    OK(odbc.SQLExecute(link.stmt));
    assert_int_equal(rows_written(&link), 4);
    assert_string_equal(answer(&link, "SELECT array_join(array_agg(CAST(id AS varchar) || '=' || "
                                      "coalesce(text, 'null') ORDER BY id), ' ') FROM by_row"),
                        "0= 10=a 20=ab 30=abc 40=abcd 50=null 60=abcdef 70=abcdefg");
    run_ok(&link, "DROP TABLE by_row");
    link_close(&link);
}

static void insert_fails_in_part(void **state) {
    Link link;
    enum { N = 300 };
    SQLINTEGER ids[N];
    char texts[N][8];
    SQLLEN lengths[N];
    SQLUSMALLINT status[N], operation[N];
    SQLULEN processed = 0;
    open3(&link);
    run_ok(&link, "CREATE TABLE parts (id integer NOT NULL, text varchar(3), n integer)");
    for (int i = 0; i < N; i++) {
        ids[i] = i;
        snprintf(texts[i], sizeof texts[i], "%d", i);
        lengths[i] = SQL_NTS;
        status[i] = 99;
        operation[i] = i == 7 ? SQL_PARAM_IGNORE : SQL_PARAM_PROCEED;
    }
    lengths[7] = -100000;         /* of a set that is not looked at */
    memcpy(texts[20], "1234", 5); /* too long for the column */
    memcpy(texts[21], "\xFF", 2); /* no text */
    memcpy(texts[299], "12x", 4); /* no number */
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)N);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    set(&link, SQL_ATTR_PARAM_OPERATION_PTR, operation);
    set(&link, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    bind(&link, 2, SQL_C_CHAR, SQL_VARCHAR, 8, 0, texts, 8, lengths);
    bind(&link, 3, SQL_C_CHAR, SQL_VARCHAR, 8, 0, texts, 8, lengths);
    INFO(run(&link, "INSERT INTO parts VALUES (?, ?, ?)"));
    STATE_IS(&link, "22001");
    assert_int_equal(diag_row(&link, 1), 21);
    assert_int_equal(diag_row(&link, 2), 22);
    assert_int_equal(diag_row(&link, 3), 300);
    assert_int_equal(rows_written(&link), N - 4);
    assert_int_equal(processed, N);
    for (int i = 0; i < N; i++) {
        bool bad = i == 20 || i == 21 || i == 299;
        assert_int_equal(status[i], i == 7 ? SQL_PARAM_UNUSED
                                    : bad  ? SQL_PARAM_ERROR
                                           : SQL_PARAM_SUCCESS);
    }
    assert_string_equal(answer(&link,
                               "SELECT count(*) FROM parts WHERE n = id AND text = CAST(id AS "
                               "varchar)"),
                        "296");
    run_ok(&link, "DROP TABLE parts");
    link_close(&link);
}

/* The column size that a parameter was bound with bounds texts and bytes, whether they come alone or in arrays,
 * to be stored or to be compared. */
static void declared_size(void **state) {
    Link link;
    SQLUSMALLINT status[3];
    char texts[3][8] = {"abc", "\xC3\xA4\xC3\xB6\xC3\xBC", "abcd"};
    SQLWCHAR wides[3][8] = {{'a', 'b', 'c'}, {0xE4, 0xF6, 0xFC}, {'a', 'b', 'c', 'd'}};
    SQLLEN texts_given[3] = {SQL_NTS, SQL_NTS, SQL_NTS}, bytes_given[3] = {3, 3, 4};
    static const char *const names[] = {"texts", "wides", "bytes"};
    struct {
        SQLSMALLINT ctype, type;
        void *data;
        SQLLEN step, *given;
    } pairs[] = {{SQL_C_CHAR, SQL_VARCHAR, texts, sizeof *texts, texts_given},
                 {SQL_C_WCHAR, SQL_WVARCHAR, wides, sizeof *wides, texts_given},
                 {SQL_C_BINARY, SQL_VARBINARY, texts, sizeof *texts, bytes_given}};
    open3(&link);
    run_ok(&link, "CREATE TABLE sizes (texts varchar, wides varchar, bytes varbinary)");
    for (int p = 0; p < 3; p++) {
        char sql[200];
        snprintf(sql, sizeof sql, "INSERT INTO sizes (%s) VALUES (?)", names[p]);
        set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3);
        set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
        bind(&link, 1, pairs[p].ctype, pairs[p].type, 3, 0, pairs[p].data, pairs[p].step,
             pairs[p].given);
        INFO(run(&link, sql));
        STATE_IS(&link, "22001");
        assert_int_equal(diag_row(&link, 1), 3);
        assert_int_equal(status[1], SQL_PARAM_SUCCESS);
        assert_int_equal(status[2], SQL_PARAM_ERROR);
        set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1);
        bind(&link, 1, pairs[p].ctype, pairs[p].type, 3, 0,
             (char *)pairs[p].data + 2 * pairs[p].step, pairs[p].step, &pairs[p].given[2]);
        FAILS(run(&link, sql));
        STATE_IS(&link, "22001");
        snprintf(sql, sizeof sql, "SELECT 1 FROM sizes WHERE %s = ?", names[p]);
        FAILS(run(&link, sql));
        STATE_IS(&link, "22001");
    }
    OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
    assert_string_equal(answer(&link,
                               "SELECT count(texts) * 100 + count(wides) * 10 + count(bytes) "
                               "FROM sizes"),
                        "222");
    run_ok(&link, "DROP TABLE sizes");
    link_close(&link);
}

/* Programs that know no type declare any for NULL (Qt: VARBINARY): it fits every column, a value does not. */
static void null_of_any_type(void **state) {
    static const SQLSMALLINT types[][2] = {{SQL_C_BINARY, SQL_VARBINARY},
                                           {SQL_C_CHAR, SQL_VARCHAR},
                                           {SQL_C_SLONG, SQL_INTEGER},
                                           {SQL_C_TYPE_DATE, SQL_TYPE_DATE},
                                           {SQL_C_GUID, SQL_GUID}};
    Link link;
    char value[3][16] = {{0}};
    SQLLEN length[3] = {SQL_NULL_DATA, SQL_NULL_DATA, SQL_NULL_DATA};
    open3(&link);
    run_ok(&link, "CREATE TABLE nulls (n integer, day date, flag boolean, bytes varbinary)");
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (SQLUSMALLINT p = 1; p <= 4; p++)
            bind(&link, p, types[t][0], types[t][1], 0, 0, value, 16, length);
        for (size_t sets = 1; sets <= 3; sets += 2) {
            set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)sets);
            run_ok(&link, "INSERT INTO nulls VALUES (?, ?, ?, ?)");
        }
        set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1);
        run_ok(&link, "UPDATE nulls SET n = ?, day = ?, flag = ?, bytes = ?");
        assert_int_equal(rows_written(&link), 4 * (t + 1));
    }
    OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
    assert_string_equal(answer(&link, "SELECT count(*) FROM nulls WHERE n IS NULL AND day IS NULL "
                                      "AND flag IS NULL AND bytes IS NULL"),
                        "20");
    /* the plan that has stored NULL must not be taken for a value */
    bind(&link, 1, SQL_C_BINARY, SQL_VARBINARY, 16, 0, value, 16, length);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO nulls (n) VALUES (?)", SQL_NTS));
    OK(odbc.SQLExecute(link.stmt));
    length[0] = 4;
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "07006");
    length[0] = SQL_NULL_DATA;
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
    assert_string_equal(answer(&link, "SELECT count(*) FROM nulls WHERE n IS NULL"), "22");
    run_ok(&link, "DROP TABLE nulls");
    link_close(&link);
}

/* A program that looks at no statuses must not take a missing row for a warning. */
static void failure_without_statuses(void **state) {
    Link link;
    SQLINTEGER ids[4] = {1, 2, 1, 3};
    SQLULEN processed = 0;
    open3(&link);
    run_ok(&link, "CREATE TABLE unseen (id integer PRIMARY KEY)");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)4);
    set(&link, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    FAILS(run(&link, "INSERT INTO unseen VALUES (?)"));
    STATE_IS(&link, "23000");
    assert_int_equal(diag_row(&link, 1), 3);
    assert_int_equal(processed, 4);
    assert_string_equal(answer(&link, "SELECT sum(id) FROM unseen"), "6");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3);
    ids[2] = 4; /* an UPDATE is executed per set: of a key to one that is there */
    FAILS(run(&link, "UPDATE unseen SET id = 1 WHERE id = ?"));
    STATE_IS(&link, "23000");
    assert_int_equal(diag_row(&link, 1), 2);
    OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1);
    run_ok(&link, "DROP TABLE unseen");
    link_close(&link);
}

static void insert_fails_wholly(void **state) {
    Link link;
    SQLINTEGER ids[3] = {1, 2, 3};
    SQLLEN nulls[3] = {SQL_NULL_DATA, SQL_NULL_DATA, SQL_NULL_DATA};
    SQLUSMALLINT status[3] = {9, 9, 9};
    open3(&link);
    run_ok(&link, "CREATE TABLE whole (id integer NOT NULL)");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, nulls);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO whole VALUES (?)", SQL_NTS));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "23000");
    for (SQLSMALLINT i = 0; i < 3; i++) {
        assert_int_equal(diag_row(&link, (SQLSMALLINT)(i + 1)), i + 1);
        assert_int_equal(status[i], SQL_PARAM_ERROR);
    }
    nulls[0] = nulls[1] = nulls[2] = 0;
    OK(odbc.SQLExecute(link.stmt)); /* the statement is still prepared */
    assert_int_equal(rows_written(&link), 3);
    /* not the rows' fault: nothing is tried again */
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO whole VALUES (?)", SQL_NTS));
    Link other = link;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link.dbc, &other.stmt));
    run_ok(&other, "DROP TABLE whole");
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, other.stmt));
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "42S02");
    for (int i = 0; i < 3; i++) assert_int_equal(status[i], SQL_PARAM_ERROR);
    link_close(&link);
}

/* Rows go to SQLite several at a time: the bad ones are found among them, and the others are all there. */
static void insert_into_file(void **state) {
    Link link;
    enum { N = 115 };
    static SQLINTEGER ids[N];
    static char texts[N][24], days[N][16];
    static SQLLEN lengths[N], day_lengths[N];
    static SQLUSMALLINT status[N];
    open3(&link);
    run_ok(&link, "USE lite.main");
    run_ok(&link, "CREATE TABLE rows (id integer PRIMARY KEY, text varchar(10) NOT NULL, d date, "
                  "n decimal(30,4), t timestamp(3))");
    for (int i = 0; i < N; i++) {
        ids[i] = i;
        lengths[i] = snprintf(texts[i], sizeof texts[i], "%d.25", i);
        day_lengths[i] =
            snprintf(days[i], sizeof days[i], "20%02d-%02d-%02d", i % 30, 1 + i % 12, 1 + i % 28);
    }
    ids[40] = 8;                 /* there already, in the same array */
    lengths[41] = SQL_NULL_DATA; /* must not be */
    ids[114] = 40;               /* not there, since the other 40 has become 8 */
    day_lengths[5] = SQL_NULL_DATA;
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)N);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    bind(&link, 2, SQL_C_CHAR, SQL_VARCHAR, 24, 0, texts, 24, lengths);
    bind(&link, 3, SQL_C_CHAR, SQL_TYPE_DATE, 10, 0, days, 16, day_lengths);
    bind(&link, 4, SQL_C_CHAR, SQL_DECIMAL, 30, 4, texts, 24, lengths);
    bind(&link, 5, SQL_C_CHAR, SQL_TYPE_TIMESTAMP, 23, 3, days, 16, day_lengths);
    INFO(run(&link, "INSERT INTO rows VALUES (?, ?, ?, ?, ?)"));
    STATE_IS(&link, "23000");
    assert_int_equal(rows_written(&link), N - 2);
    for (int i = 0; i < N; i++)
        assert_int_equal(status[i], i == 40 || i == 41 ? SQL_PARAM_ERROR : SQL_PARAM_SUCCESS);
    assert_string_equal(
        answer(&link, "SELECT count(*) FROM rows WHERE CAST(text AS decimal(30, 4)) = n"), "113");
    assert_string_equal(answer(&link, "SELECT count(*) FROM rows WHERE CAST(t AS date) = d AND "
                                      "day(d) = 1 + CAST(n AS integer) % 28 AND year(d) = 2000 + "
                                      "CAST(n AS integer) % 30"),
                        "112");
    assert_string_equal(answer(&link, "SELECT count(*) FROM rows WHERE d IS NULL AND id = 5"), "1");
    /* the same text of the statement, another table */
    run_ok(&link, "DROP TABLE rows");
    run_ok(&link,
           "CREATE TABLE rows (t timestamp(3), n decimal(30,4), d date, text varchar(10), id "
           "integer)");
    OK(run(&link, "INSERT INTO rows (id, text, d, n, t) VALUES (?, ?, ?, ?, ?)"));
    assert_string_equal(answer(&link, "SELECT sum(id) FROM rows"), "6449");
    run_ok(&link, "ALTER TABLE rows ADD COLUMN more integer");
    OK(run(&link, "INSERT INTO rows (id, text, d, n, t) VALUES (?, ?, ?, ?, ?)"));
    assert_string_equal(answer(&link, "SELECT count(*) FROM rows WHERE more IS NULL AND id = 8"),
                        "4");
    /* another program takes the table away */
    OK(odbc.SQLPrepare(link.stmt,
                       (SQLCHAR *)"INSERT INTO rows (id, text, d, n, t) VALUES (?, ?, ?, ?, ?)",
                       SQL_NTS));
    sqlite_file_run(lite_file, "DROP TABLE rows");
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "42S02");
    sqlite_file_run(lite_file, "CREATE TABLE rows (id integer, text, d, n)");
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "42S22");
    run_ok(&link, "DROP TABLE rows");
    link_close(&link);
}

/* More columns than one statement takes rows of. */
static void insert_wide(void **state) {
    Link link;
    enum { N = 50, COLUMNS = 300 };
    static SQLINTEGER values[COLUMNS][N];
    char sql[COLUMNS * 16];
    open3(&link);
    run_ok(&link, "USE lite.main");
    for (int columns = 20; columns <= COLUMNS; columns += 140) {
        int at = snprintf(sql, sizeof sql, "CREATE TABLE wide (c0 integer");
        for (int c = 1; c < columns; c++)
            at += snprintf(sql + at, sizeof sql - (size_t)at, ", c%d integer", c);
        snprintf(sql + at, sizeof sql - (size_t)at, ")");
        run_ok(&link, sql);
        set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)N);
        at = snprintf(sql, sizeof sql, "INSERT INTO wide VALUES (?");
        for (int c = 0; c < columns; c++) {
            for (int i = 0; i < N; i++) values[c][i] = 1000 * c + i;
            bind(&link, (SQLUSMALLINT)(c + 1), SQL_C_SLONG, SQL_INTEGER, 0, 0, values[c], 0, NULL);
            if (c) at += snprintf(sql + at, sizeof sql - (size_t)at, ", ?");
        }
        snprintf(sql + at, sizeof sql - (size_t)at, ")");
        OK(run(&link, sql));
        assert_int_equal(rows_written(&link), N);
        snprintf(sql, sizeof sql,
                 "SELECT count(*) FROM wide WHERE c%d = c0 + %d AND c9 = c0 + 9000", columns - 1,
                 1000 * (columns - 1));
        assert_string_equal(answer(&link, sql), "50");
        set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1);
        OK(odbc.SQLFreeStmt(link.stmt, SQL_RESET_PARAMS));
        run_ok(&link, "DROP TABLE wide");
    }
    link_close(&link);
}

static void *insert_on_small_stack(void *unused) {
    static const char sql[] = "INSERT INTO deep VALUES (1 + (1 + (1 + (1 + (1 + (1 + ?))))))";
    Link link;
    SQLINTEGER value;
    open3(&link);
    run_ok(&link, "CREATE TABLE deep (n bigint)");
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &value, 0, NULL);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS));
    for (value = 0; value < 50; value++) OK(odbc.SQLExecute(link.stmt));
    assert_string_equal(answer(&link, "SELECT sum(n) FROM deep"), "1525");
    run_ok(&link, "DROP TABLE deep");
    link_close(&link);
    return NULL;
}

/* What is stored on the caller's thread takes little of its stack, or goes to another thread. */
static void insert_with_small_stack(void **state) {
    static const size_t sizes[] = {128 << 10, 256 << 10, 8 << 20};
#ifdef __SANITIZE_THREAD__
    skip(); /* it wants stacks of a megabyte for itself */
#endif
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, sizes[i]);
        assert_int_equal(pthread_create(&thread, &attributes, insert_on_small_stack, NULL), 0);
        pthread_join(thread, NULL);
        pthread_attr_destroy(&attributes);
    }
}

/* One set of parameters again and again, with other types in between: the kept plan fits or is made anew. */
static void insert_by_set(void **state) {
    Link link;
    SQLINTEGER id;
    double real = 2.5;
    char text[] = "7";
    SQLLEN nts = SQL_NTS;
    open3(&link);
    run_ok(&link, "CREATE TABLE singles (id integer, note varchar)");
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO singles VALUES (?, 'n')", SQL_NTS));
    for (id = 0; id < 50; id++) {
        bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
        OK(odbc.SQLExecute(link.stmt));
        assert_int_equal(rows_written(&link), 1);
    }
    bind(&link, 1, SQL_C_DOUBLE, SQL_DOUBLE, 0, 0, &real, 0, NULL);
    OK(odbc.SQLExecute(link.stmt));
    bind(&link, 1, SQL_C_CHAR, SQL_VARCHAR, 5, 0, text, 0, &nts);
    OK(odbc.SQLExecute(link.stmt));
    text[0] = 'x';
    FAILS(odbc.SQLExecute(link.stmt));
    STATE_IS(&link, "22018");
    assert_int_equal(diag_row(&link, 1), SQL_NO_ROW_NUMBER);
    assert_string_equal(answer(&link, "SELECT sum(id) FROM singles"), "1235"); /* 1225 + 3 + 7 */
    run_ok(&link, "DROP TABLE singles");
    link_close(&link);
}

/* Set by set: a set that finds no row is no failure. */
static void change_by_sets(void **state) {
    Link link;
    SQLINTEGER ids[3] = {1, 9, 3}, values[3] = {10, 90, 30};
    SQLUSMALLINT status[3] = {9, 9, 9};
    open3(&link);
    run_ok(&link, "CREATE TABLE changed AS SELECT * FROM (VALUES (1, 0), (2, 0), (3, 0)) t(id, n)");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)3);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, values, 0, NULL);
    bind(&link, 2, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    run_ok(&link, "UPDATE changed SET n = ? WHERE id = ?");
    assert_int_equal(rows_written(&link), 2);
    for (int i = 0; i < 3; i++) assert_int_equal(status[i], SQL_PARAM_SUCCESS);
    assert_string_equal(
        answer(&link, "SELECT array_join(array_agg(n ORDER BY id), ',') FROM changed"), "10,0,30");
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    run_ok(&link, "DELETE FROM changed WHERE id = ?");
    assert_int_equal(rows_written(&link), 2);
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)1);
    assert_int_equal(run(&link, "DELETE FROM changed WHERE id = ?"), SQL_NO_DATA);
    run_ok(&link, "DROP TABLE changed");
    link_close(&link);
}

/* What was executed, and that it changed nothing. */
static void nothing_inserted(void **state) {
    Link link;
    SQLINTEGER code = 0;
    char name[32] = "";
    open3(&link);
    run_ok(&link, "CREATE TABLE nothing (id integer)");
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 0, SQL_DIAG_DYNAMIC_FUNCTION_CODE, &code, 0,
                            NULL));
    assert_int_equal(code, SQL_DIAG_CREATE_TABLE);
    assert_int_equal(run(&link, "INSERT INTO nothing SELECT id FROM nothing"), SQL_NO_DATA);
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 0, SQL_DIAG_DYNAMIC_FUNCTION_CODE, &code, 0,
                            NULL));
    assert_int_equal(code, SQL_DIAG_INSERT);
    OK(odbc.SQLGetDiagField(SQL_HANDLE_STMT, link.stmt, 0, SQL_DIAG_DYNAMIC_FUNCTION, name,
                            sizeof name, NULL));
    assert_string_equal(name, "INSERT");
    assert_int_equal(rows_written(&link), 0);
    run_ok(&link, "CREATE TABLE nothing_more AS SELECT id FROM nothing");
    run_ok(&link, "DROP TABLE nothing_more");
    run_ok(&link, "INSERT INTO nothing VALUES (1)");
    run_ok(&link, "DROP TABLE nothing");
    link_close(&link);
    link_open(&link, &odbc, SQL_OV_ODBC2, connection, false);
    run_ok(&link, "CREATE TABLE nothing (id integer)");
    run_ok(&link, "INSERT INTO nothing SELECT id FROM nothing");
    run_ok(&link, "DROP TABLE nothing");
    link_close(&link);
}

/* ---- queries */

static void query_per_set(void **state) {
    Link link;
    SQLINTEGER ids[4] = {1, 2, 3, 4};
    char texts[4][4] = {"a", "b", "c", "d"};
    SQLLEN lengths[4] = {SQL_NTS, SQL_NTS, SQL_NTS, SQL_NTS};
    SQLUSMALLINT status[4] = {9, 9, 9, 9}, operation[4] = {0, 0, 0, SQL_PARAM_IGNORE};
    SQLULEN processed = 0;
    char expected[20];
    open3(&link);
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)4);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    set(&link, SQL_ATTR_PARAM_OPERATION_PTR, operation);
    set(&link, SQL_ATTR_PARAMS_PROCESSED_PTR, &processed);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    bind(&link, 2, SQL_C_CHAR, SQL_VARCHAR, 4, 0, texts, 4, lengths);
    for (int direct = 0; direct < 2; direct++) {
        static const char sql[] = "SELECT ? * 2, ? || '!' UNION ALL VALUES (99, 'z') ORDER BY 1";
        if (direct) {
            run_ok(&link, sql);
        } else {
            OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS));
            OK(odbc.SQLExecute(link.stmt));
        }
        memset(texts[1], 'X', 2); /* has been read already */
        for (int i = 0; i < 3; i++) {
            assert_int_equal(processed, i + 1);
            assert_int_equal(status[i], SQL_PARAM_SUCCESS);
            if (i < 2) assert_int_equal(status[i + 1], SQL_PARAM_UNUSED);
            OK(odbc.SQLFetch(link.stmt));
            snprintf(expected, sizeof expected, "%d", (i + 1) * 2);
            assert_string_equal(text_of(&link, 1), expected);
            snprintf(expected, sizeof expected, "%c!", 'a' + i);
            assert_string_equal(text_of(&link, 2), expected);
            if (i != 1) OK(odbc.SQLFetch(link.stmt)); /* results may be left unread */
            if (i != 1) assert_int_equal(odbc.SQLFetch(link.stmt), SQL_NO_DATA);
            assert_int_equal(odbc.SQLMoreResults(link.stmt), i < 2 ? SQL_SUCCESS : SQL_NO_DATA);
        }
        memcpy(texts[1], "b", 2);
    }
    link_close(&link);
}

static void query_sets_fail(void **state) {
    Link link;
    SQLINTEGER ids[4] = {1, 0, 2, 0};
    SQLUSMALLINT status[4] = {9, 9, 9, 9};
    open3(&link);
    run_ok(&link, "CREATE TABLE tens AS SELECT 10 AS n");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)4);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"SELECT CAST(? AS tinyint) FROM tens WHERE n > 0",
                       SQL_NTS));
    ids[1] = ids[3] = 1000; /* fails when it is planned or run */
    OK(odbc.SQLExecute(link.stmt));
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "1");
    SQLRETURN more = odbc.SQLMoreResults(link.stmt);
    if (more == SQL_SUCCESS) { /* the error comes with the row */
        FAILS(odbc.SQLFetch(link.stmt));
        STATE_IS(&link, "22003");
        OK(odbc.SQLMoreResults(link.stmt));
    } else {
        assert_int_equal(more, SQL_SUCCESS_WITH_INFO);
        assert_int_equal(status[1], SQL_PARAM_ERROR);
        assert_int_equal(diag_row(&link, 1), 2);
    }
    OK(odbc.SQLFetch(link.stmt));
    assert_string_equal(text_of(&link, 1), "2");
    OK(odbc.SQLCloseCursor(link.stmt)); /* the sets that are left are forgotten */
    assert_int_equal(odbc.SQLMoreResults(link.stmt), SQL_NO_DATA);
    run_ok(&link, "DROP TABLE tens");
    link_close(&link);
}

/* ---- data at execution */

static void put(Link *link, const void *data, SQLLEN length) {
    OK(odbc.SQLPutData(link->stmt, (SQLPOINTER)(uintptr_t)data, length));
}

static void put_in_parts(void **state) {
    Link link;
    SQLLEN waits = SQL_DATA_AT_EXEC, waits_length = SQL_LEN_DATA_AT_EXEC(5000);
    SQLINTEGER id = 1;
    SQLPOINTER token = NULL;
    int places[3];
    static const SQLWCHAR high[] = {'x', 0xD83D}, low[] = {0xDE00, 'y'};
    static char piece[1000];
    open3(&link);
    run_ok(&link, "CREATE TABLE puts (id integer, text varchar, wide varchar, bytes varbinary)");
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, &id, 0, NULL);
    bind(&link, 2, SQL_C_CHAR, SQL_LONGVARCHAR, 0, 0, &places[0], 0, &waits_length);
    bind(&link, 3, SQL_C_WCHAR, SQL_WLONGVARCHAR, 0, 0, &places[1], 0, &waits);
    bind(&link, 4, SQL_C_BINARY, SQL_LONGVARBINARY, 0, 0, &places[2], 0, &waits);
    assert_int_equal(run(&link, "INSERT INTO puts VALUES (?, ?, ?, ?)"), SQL_NEED_DATA);
    FAILS(odbc.SQLPutData(link.stmt, "x", 1)); /* S8: SQLParamData comes first */
    STATE_IS(&link, "HY010");
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, &places[0]);
    FAILS(odbc.SQLParamData(link.stmt, &token)); /* S9: there must be a piece */
    STATE_IS(&link, "HY010");
    memset(piece, 'p', sizeof piece);
    for (int i = 0; i < 5; i++) put(&link, piece, sizeof piece);
    put(&link, "", 0);
    FAILS(odbc.SQLFetch(link.stmt));
    STATE_IS(&link, "HY010");
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, &places[1]);
    put(&link, high, sizeof high); /* a surrogate pair split between two pieces */
    put(&link, low, sizeof low);
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    assert_ptr_equal(token, &places[2]);
    put(&link, "\0\1", 2);
    put(&link, "\xFF", 1);
    OK(odbc.SQLParamData(link.stmt, &token));
    assert_int_equal(rows_written(&link), 1);
    assert_string_equal(answer(&link, "SELECT length(text) FROM puts"), "5000");
    assert_string_equal(answer(&link, "SELECT wide FROM puts"), "x\xF0\x9F\x98\x80y");
    assert_string_equal(answer(&link, "SELECT to_hex(bytes) FROM puts"), "0001FF");
    run_ok(&link, "DROP TABLE puts");
    link_close(&link);
}

static void put_arrays(void **state) {
    Link link;
    enum { N = 4 };
    SQLINTEGER ids[N] = {1, 2, 3, 4};
    char texts[N][16] = {"", "here", "", ""};
    SQLLEN lengths[N] = {SQL_DATA_AT_EXEC, SQL_NTS, SQL_DATA_AT_EXEC, SQL_LEN_DATA_AT_EXEC(3)};
    SQLUSMALLINT status[N] = {9, 9, 9, 9}, operation[N] = {0, 0, SQL_PARAM_IGNORE, 0};
    SQLPOINTER token = NULL;
    SQLRETURN result;
    open3(&link);
    run_ok(&link, "CREATE TABLE put_rows (id integer, text varchar)");
    set(&link, SQL_ATTR_PARAMSET_SIZE, (SQLPOINTER)N);
    set(&link, SQL_ATTR_PARAM_STATUS_PTR, status);
    set(&link, SQL_ATTR_PARAM_OPERATION_PTR, operation);
    bind(&link, 1, SQL_C_SLONG, SQL_INTEGER, 0, 0, ids, 0, NULL);
    bind(&link, 2, SQL_C_CHAR, SQL_VARCHAR, 0, 0, texts, 16, lengths);
    OK(odbc.SQLPrepare(link.stmt, (SQLCHAR *)"INSERT INTO put_rows VALUES (?, ?)", SQL_NTS));
    assert_int_equal(odbc.SQLExecute(link.stmt), SQL_NEED_DATA);
    int asked = 0;
    while ((result = odbc.SQLParamData(link.stmt, &token)) == SQL_NEED_DATA) {
        assert_ptr_equal(token, asked == 0 ? texts[0] : texts[3]);
        asked++;
        if (asked == 1) put(&link, "first", SQL_NTS);
        if (asked == 2) OK(odbc.SQLPutData(link.stmt, NULL, SQL_NULL_DATA));
    }
    OK(result);
    assert_int_equal(asked, 2);
    assert_int_equal(rows_written(&link), 3);
    assert_int_equal(status[0], SQL_PARAM_SUCCESS);
    assert_int_equal(status[2], SQL_PARAM_UNUSED);
    assert_string_equal(answer(&link, "SELECT array_join(array_agg(coalesce(text, 'null') ORDER BY "
                                      "id), ',') FROM put_rows"),
                        "first,here,null");
    /* cancelled while the last set waits: the sets before it are stored */
    assert_int_equal(odbc.SQLExecute(link.stmt), SQL_NEED_DATA);
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    put(&link, "again", SQL_NTS);
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    OK(odbc.SQLCancel(link.stmt));
    FAILS(odbc.SQLPutData(link.stmt, "x", 1));
    STATE_IS(&link, "HY010");
    assert_string_equal(answer(&link, "SELECT count(*) FROM put_rows"), "5");
    lengths[0] = lengths[3] = SQL_NTS;
    OK(odbc.SQLExecute(link.stmt)); /* still prepared */
    assert_int_equal(rows_written(&link), 3);
    run_ok(&link, "DROP TABLE put_rows");
    link_close(&link);
}

/* What waits for data is charged to the budget of the process: refused, not killed. */
static void put_beyond_memory(void **state) {
    Link link;
    SQLLEN waits = SQL_DATA_AT_EXEC;
    SQLPOINTER token = NULL;
    static char piece[1 << 20];
    char limited[600];
    snprintf(limited, sizeof limited, "%s;ProcessMemoryLimit=20MB", connection);
    link_open(&link, &odbc, SQL_OV_ODBC3, limited, false);
    run_ok(&link, "CREATE TABLE large (text varchar)");
    bind(&link, 1, SQL_C_CHAR, SQL_LONGVARCHAR, 0, 0, &token, 0, &waits);
    assert_int_equal(run(&link, "INSERT INTO large VALUES (?)"), SQL_NEED_DATA);
    assert_int_equal(odbc.SQLParamData(link.stmt, &token), SQL_NEED_DATA);
    memset(piece, 'x', sizeof piece);
    SQLRETURN result = SQL_SUCCESS;
    int pieces = 0;
    while (pieces < 40 && (result = odbc.SQLPutData(link.stmt, piece, sizeof piece)) == SQL_SUCCESS)
        pieces++;
    FAILS(result);
    STATE_IS(&link, "HY001");
    assert_in_range(pieces, 10, 20);
    OK(odbc.SQLCancel(link.stmt));
    assert_string_equal(answer(&link, "SELECT count(*) FROM large"), "0");
    run_ok(&link, "DROP TABLE large");
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert_by_column),     cmocka_unit_test(insert_by_row),
        cmocka_unit_test(insert_fails_in_part), cmocka_unit_test(failure_without_statuses),
        cmocka_unit_test(insert_fails_wholly),  cmocka_unit_test(declared_size),
        cmocka_unit_test(null_of_any_type),     cmocka_unit_test(change_by_sets),
        cmocka_unit_test(nothing_inserted),     cmocka_unit_test(insert_by_set),
        cmocka_unit_test(query_per_set),        cmocka_unit_test(query_sets_fail),
        cmocka_unit_test(put_in_parts),         cmocka_unit_test(put_arrays),
        cmocka_unit_test(put_beyond_memory),    cmocka_unit_test(insert_into_file),
        cmocka_unit_test(insert_wide),          cmocka_unit_test(insert_with_small_stack),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
