/*
 * test_claims.c - what SQLGetInfo says about writing is so, for each kind of default catalog: memory, SQLite that
 * is written to and that is only read, files of a lake, a MySQL server where TRIB_TEST_MYSQL_PORT says one, none
 * at all; and on connections that only read. Each bit is tried by what it claims, each type by a column of it.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static Odbc odbc;
static char folder[] = "/tmp/tributary_claims_XXXXXX";

typedef struct Place {
    const char *name, *catalog; /* "": none by default */
    const char *more;           /* of the connection string */
    const char *prefix;         /* of table names */
    bool writes, several, schemas, ddl_commits, is_mysql;
} Place;

static const Place places[] = {
    {"memory", "memory", "", "memory.\"default\".", true, true, true, false, false},
    {"SQLite", "lite", "", "lite.main.", true, false, false, false, false},
    {"SQLite, read-only", "frozen", "", "frozen.main.", false, false, false, false, false},
    {"a lake", "files", "", "files.\"default\".", false, false, false, false, false},
    {"MySQL", "my", "", "my.analytics_db.", true, true, true, true, true},
    {"MySQL, read-only", "my_frozen", "", "my_frozen.analytics_db.", false, false, false, false,
     true},
    {"no catalog", "", "", "memory.\"default\".", true, false, true, false, false},
    {"memory, ReadOnly=1", "memory", ";ReadOnly=1", "memory.\"default\".", false, true, false,
     false, false},
};
#define PLACES (sizeof places / sizeof *places)

static bool possible(const Place *place) {
    return !place->is_mysql || getenv("TRIB_TEST_MYSQL_PORT");
}

static void open_place(Link *link, const Place *place) {
    char string[700];
    snprintf(string, sizeof string,
             "Config=%s/config;ConnectorPath=%s;Metastore=:memory:;Catalog=%s%s", folder,
             CONNECTOR_PATH, place->catalog, place->more);
    link_open(link, &odbc, SQL_OV_ODBC3_80, string, false);
}

static int load(void **state) {
    const char *port = getenv("TRIB_TEST_MYSQL_PORT");
    char text[3000];
    assert_non_null(mkdtemp(folder));
    if (!port) port = "3306";
    snprintf(text, sizeof text,
             "{ \"catalogs\": { \"memory\": { \"type\": \"memory\" },\n"
             "\"lite\": { \"type\": \"sqlite\", \"path\": \"%s/lite\", \"mode\": \"readwrite\", "
             "\"busy_timeout\": 300 },\n"
             "\"frozen\": { \"type\": \"sqlite\", \"path\": \"%s/lite\" },\n"
             "\"files\": { \"type\": \"lake\", \"path\": \"%s/lake\" },\n"
             "\"my\": { \"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": %s, \"user\": "
             "\"trib\", \"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\", \"default_schema\": "
             "\"analytics_db\", \"mode\": \"readwrite\" },\n"
             "\"my_frozen\": { \"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": %s, "
             "\"user\": \"trib\", \"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\", "
             "\"default_schema\": \"analytics_db\" } } }\n",
             folder, folder, folder, port, port);
    file_write(folder, "config", text);
    sqlite_file_make(folder, "lite", "CREATE TABLE claims_old (a INTEGER PRIMARY KEY, b TEXT)");
    char path[200];
    snprintf(path, sizeof path, "%s/lake", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/lake/claims_old", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    file_write(path, "one.csv", "a,b\n1,x\n");
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    static const char *const files[] = {"config", "lite", "lake/claims_old/one.csv"};
    char path[200];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/lake/claims_old", folder);
    rmdir(path);
    snprintf(path, sizeof path, "%s/lake", folder);
    rmdir(path);
    return rmdir(folder);
}

/* ---- asking and trying */

static SQLUINTEGER number_of(Link *link, SQLUSMALLINT type) {
    SQLUINTEGER value = 0;
    OK(odbc.SQLGetInfo(link->dbc, type, &value, sizeof value, NULL));
    return value;
}

static bool yes_of(Link *link, SQLUSMALLINT type) {
    char text[4] = "";
    OK(odbc.SQLGetInfo(link->dbc, type, text, sizeof text, NULL));
    assert_true(strcmp(text, "Y") == 0 || strcmp(text, "N") == 0);
    return text[0] == 'Y';
}

/* Runs statements divided by ';', in which @ stands for the catalog and schema of the place. */
static bool works(Link *link, const Place *place, const char *statements) {
    bool all = true;
    while (*statements) {
        char sql[500];
        size_t n = 0;
        for (; *statements && *statements != ';'; statements++) {
            if (*statements == '@')
                n += (size_t)snprintf(sql + n, sizeof sql - n, "%s", place->prefix);
            else
                sql[n++] = *statements;
            assert_in_range(n, 0, sizeof sql - 100);
        }
        sql[n] = 0;
        SQLRETURN result = run(link, sql);
        all = all && (SQL_SUCCEEDED(result) || result == SQL_NO_DATA);
        OK(odbc.SQLFreeStmt(link->stmt, SQL_CLOSE));
        statements += *statements == ';';
    }
    return all;
}

static void clear(Link *link, const Place *place) {
    static const char *const tables[] = {"claims_a", "claims_b", "claims_c"};
    char sql[200];
    for (size_t i = 0; i < 3; i++) {
        snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS @%s", tables[i]);
        (void)works(link, place, sql);
    }
}

/* Tables for the trials, where they can be made. */
static void prepare(Link *link, const Place *place) {
    clear(link, place);
    bool made = works(link, place,
                      "CREATE TABLE @claims_a (a integer PRIMARY KEY, b varchar(20));"
                      "INSERT INTO @claims_a VALUES (1, 'x'), (2, 'y')");
    assert_int_equal(made, place->writes);
}

/* ---- bits */

static const struct Bit {
    SQLUSMALLINT type;
    SQLUINTEGER bit;
    const char *sql;
} bits[] = {
    {SQL_INSERT_STATEMENT, SQL_IS_INSERT_LITERALS, "INSERT INTO @claims_a VALUES (9, 'i')"},
    {SQL_INSERT_STATEMENT, SQL_IS_INSERT_SEARCHED,
     "INSERT INTO @claims_a SELECT a + 100, b FROM @claims_a"},
    {SQL_CREATE_TABLE, SQL_CT_CREATE_TABLE, "CREATE TABLE @claims_b (a integer, b varchar(5))"},
    {SQL_CREATE_TABLE, SQL_CT_COLUMN_CONSTRAINT,
     "CREATE TABLE @claims_b (a integer PRIMARY KEY, b integer NOT NULL UNIQUE)"},
    {SQL_CREATE_TABLE, SQL_CT_COLUMN_DEFAULT, "CREATE TABLE @claims_b (a integer DEFAULT 1)"},
    {SQL_CREATE_TABLE, SQL_CT_TABLE_CONSTRAINT,
     "CREATE TABLE @claims_b (a integer, b integer, PRIMARY KEY (b, a), UNIQUE (a))"},
    {SQL_CREATE_TABLE, SQL_CT_CONSTRAINT_NAME_DEFINITION,
     "CREATE TABLE @claims_b (a integer, CONSTRAINT k PRIMARY KEY (a))"},
    {SQL_DROP_TABLE, SQL_DT_DROP_TABLE, "CREATE TABLE @claims_c (a integer);DROP TABLE @claims_c"},
    {SQL_DROP_TABLE, SQL_DT_CASCADE,
     "CREATE TABLE @claims_c (a integer);DROP TABLE @claims_c CASCADE"},
    {SQL_DROP_TABLE, SQL_DT_RESTRICT,
     "CREATE TABLE @claims_c (a integer);DROP TABLE @claims_c RESTRICT"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN, "ALTER TABLE @claims_a ADD COLUMN z integer"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN,
     "ALTER TABLE @claims_a ADD COLUMN z integer;ALTER TABLE @claims_a DROP COLUMN z"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN_SINGLE, "ALTER TABLE @claims_a ADD COLUMN z integer"},
    {SQL_ALTER_TABLE, SQL_AT_ADD_COLUMN_DEFAULT,
     "ALTER TABLE @claims_a ADD COLUMN z integer DEFAULT 1"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN_CASCADE,
     "ALTER TABLE @claims_a ADD COLUMN z integer;ALTER TABLE @claims_a DROP COLUMN z CASCADE"},
    {SQL_ALTER_TABLE, SQL_AT_DROP_COLUMN_RESTRICT,
     "ALTER TABLE @claims_a ADD COLUMN z integer;ALTER TABLE @claims_a DROP COLUMN z RESTRICT"},
    {SQL_DDL_INDEX, SQL_DI_CREATE_INDEX, "CREATE INDEX claims_i ON @claims_a (b)"},
    {SQL_DDL_INDEX, SQL_DI_DROP_INDEX,
     "CREATE INDEX claims_i ON @claims_a (b);DROP INDEX claims_i ON @claims_a"},
};

/* CREATE SCHEMA takes the default catalog's, or names one. */
static bool schema_made(Link *link, const Place *place) {
    char catalog[40], sql[200];
    snprintf(catalog, sizeof catalog, "%.*s", (int)strcspn(place->prefix, "."), place->prefix);
    snprintf(sql, sizeof sql, "DROP SCHEMA IF EXISTS %s.claims_s", catalog);
    (void)works(link, place, sql);
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s.claims_s;DROP SCHEMA %s.claims_s", catalog,
             catalog);
    return works(link, place, sql);
}

static void statements(void **state) {
    int wrong = 0;
    for (size_t p = 0; p < PLACES; p++) {
        const Place *place = &places[p];
        Link link;
        if (!possible(place)) continue;
        open_place(&link, place);
        for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
            prepare(&link, place);
            bool claimed = (number_of(&link, bits[i].type) & bits[i].bit) != 0;
            bool right = works(&link, place, bits[i].sql);
            if (claimed == right && claimed == place->writes) continue;
            print_message("%s: %s is %s, and %s\n", place->name, bits[i].sql,
                          claimed ? "claimed" : "not claimed", right ? "works" : "fails");
            wrong++;
        }
        clear(&link, place);
        bool made = schema_made(&link, place);
        assert_int_equal(made, place->schemas);
        assert_int_equal(number_of(&link, SQL_CREATE_SCHEMA), made ? SQL_CS_CREATE_SCHEMA : 0);
        assert_int_equal(number_of(&link, SQL_DROP_SCHEMA), made ? SQL_DS_DROP_SCHEMA : 0);
        link_close(&link);
    }
    assert_int_equal(wrong, 0);
}

/* ---- cursors */

/* Opens a cursor for writing over a table that is there; false: it became read-only, and says so. */
static bool cursor_writes(Link *link, const Place *place) {
    char sql[200];
    SQLULEN concurrency = 0;
    SQLINTEGER a = 0;
    SQLLEN length = 0;
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_CURSOR_TYPE, (SQLPOINTER)SQL_CURSOR_STATIC, 0));
    OK(odbc.SQLSetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, (SQLPOINTER)SQL_CONCUR_VALUES, 0));
    OK(odbc.SQLBindCol(link->stmt, 1, SQL_C_SLONG, &a, 0, &length));
    bool own = place->writes || place->more[0];
    snprintf(sql, sizeof sql, "SELECT a FROM %s%s ORDER BY a",
             place->is_mysql && !place->writes ? "" : place->prefix,
             place->is_mysql && !place->writes ? "(VALUES 1) v (a)"
             : own                             ? "claims_a"
                                               : "claims_old");
    SQLRETURN result = run(link, sql);
    if (result == SQL_SUCCESS_WITH_INFO) {
        STATE_IS(link, "01S02");
    } else if (result != SQL_SUCCESS) {
        assert_true(place->more[0]); /* a connection that only reads could not make the table */
        STATE_IS(link, "42S02");
        return false;
    }
    OK(odbc.SQLGetStmtAttr(link->stmt, SQL_ATTR_CONCURRENCY, &concurrency, 0, NULL));
    assert_int_equal(concurrency == SQL_CONCUR_VALUES, result == SQL_SUCCESS);
    bool all = concurrency == SQL_CONCUR_VALUES && SQL_SUCCEEDED(odbc.SQLFetch(link->stmt));
    a = 50;
    all = all && odbc.SQLSetPos(link->stmt, 1, SQL_UPDATE, SQL_LOCK_NO_CHANGE) == SQL_SUCCESS;
    all = all && odbc.SQLSetPos(link->stmt, 1, SQL_DELETE, SQL_LOCK_NO_CHANGE) == SQL_SUCCESS;
    all = all && odbc.SQLSetPos(link->stmt, 1, SQL_ADD, SQL_LOCK_NO_CHANGE) == SQL_SUCCESS;
    all = all && odbc.SQLBulkOperations(link->stmt, SQL_ADD) == SQL_ERROR; /* 50 is there */
    OK(odbc.SQLFreeStmt(link->stmt, SQL_CLOSE));
    OK(odbc.SQLFreeStmt(link->stmt, SQL_UNBIND));
    return all;
}

static void cursors(void **state) {
    static const struct {
        SQLUSMALLINT type;
        SQLUINTEGER bits;
    } claims[] = {
        {SQL_POS_OPERATIONS, SQL_POS_UPDATE | SQL_POS_DELETE | SQL_POS_ADD},
        {SQL_SCROLL_CONCURRENCY, SQL_SCCO_OPT_VALUES},
        {SQL_POSITIONED_STATEMENTS, SQL_PS_POSITIONED_DELETE | SQL_PS_POSITIONED_UPDATE},
        {SQL_STATIC_SENSITIVITY, SQL_SS_UPDATES},
        {SQL_STATIC_CURSOR_ATTRIBUTES1, SQL_CA1_POS_UPDATE | SQL_CA1_POS_DELETE | SQL_CA1_BULK_ADD},
        {SQL_STATIC_CURSOR_ATTRIBUTES2, SQL_CA2_OPT_VALUES_CONCURRENCY},
        {SQL_FORWARD_ONLY_CURSOR_ATTRIBUTES1, SQL_CA1_POS_UPDATE | SQL_CA1_POS_DELETE},
    };
    for (size_t p = 0; p < PLACES; p++) {
        Link link;
        if (!possible(&places[p])) continue;
        open_place(&link, &places[p]);
        prepare(&link, &places[p]);
        bool writes = cursor_writes(&link, &places[p]);
        if (writes != places[p].writes) fail_msg("%s: %d", places[p].name, writes);
        assert_int_equal(yes_of(&link, SQL_DATA_SOURCE_READ_ONLY), !writes);
        for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
            assert_int_equal(number_of(&link, claims[i].type) & claims[i].bits,
                             writes ? claims[i].bits : 0);
        assert_int_equal(number_of(&link, SQL_KEYSET_CURSOR_ATTRIBUTES1), 0);
        assert_int_equal(number_of(&link, SQL_KEYSET_CURSOR_ATTRIBUTES2), 0);
        /* others that read only: by the attribute, whatever the catalog */
        OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_ONLY,
                                  0));
        assert_true(yes_of(&link, SQL_DATA_SOURCE_READ_ONLY));
        assert_int_equal(number_of(&link, SQL_INSERT_STATEMENT), 0);
        OK(odbc.SQLSetConnectAttr(link.dbc, SQL_ATTR_ACCESS_MODE, (SQLPOINTER)SQL_MODE_READ_WRITE,
                                  0));
        clear(&link, &places[p]);
        link_close(&link);
    }
}

/* ---- transactions */

static void autocommit(Link *link, SQLULEN on) {
    OK(odbc.SQLSetConnectAttr(link->dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)on, 0));
}

static bool is_there(Link *link, const Place *place, const char *what) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT a FROM @%s", what);
    return works(link, place, sql);
}

static long rows_of(Link *link, const Place *place) {
    char sql[200];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %sclaims_a", place->prefix);
    run_ok(link, sql);
    OK(odbc.SQLFetch(link->stmt));
    long rows = strtol(text_of(link, 1), NULL, 10);
    close_cursor(link);
    return rows;
}

/* What a rollback leaves of an INSERT and of a CREATE TABLE behind it. */
static SQLUINTEGER capability(Link *link, const Place *place) {
    long before = rows_of(link, place);
    autocommit(link, SQL_AUTOCOMMIT_OFF);
    assert_true(works(link, place, "INSERT INTO @claims_a VALUES (70, 'tx')"));
    assert_true(works(link, place, "CREATE TABLE @claims_b (a integer)"));
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_ROLLBACK));
    autocommit(link, SQL_AUTOCOMMIT_ON);
    bool table = is_there(link, place, "claims_b"), row = rows_of(link, place) > before;
    assert_int_equal(table, row);
    return table ? SQL_TC_DDL_COMMIT : SQL_TC_ALL;
}

/* Levels that are claimed can be set, and what is written under them is written. */
static void levels_tried(Link *link, const Place *place) {
    static const SQLUINTEGER levels[] = {SQL_TXN_READ_UNCOMMITTED, SQL_TXN_READ_COMMITTED,
                                         SQL_TXN_REPEATABLE_READ, SQL_TXN_SERIALIZABLE};
    SQLUINTEGER claimed = number_of(link, SQL_TXN_ISOLATION_OPTION), any_as_strong;
    for (int i = 0; i < 4; i++) {
        any_as_strong = claimed & ~(levels[i] - 1);
        SQLRETURN result = odbc.SQLSetConnectAttr(link->dbc, SQL_ATTR_TXN_ISOLATION,
                                                  (SQLPOINTER)(uintptr_t)levels[i], 0);
        assert_int_equal(result, any_as_strong ? SQL_SUCCESS : SQL_ERROR);
        if (!(claimed & levels[i])) continue;
        autocommit(link, SQL_AUTOCOMMIT_OFF);
        assert_true(works(link, place, "DELETE FROM @claims_a WHERE a = 80"));
        assert_true(works(link, place, "INSERT INTO @claims_a VALUES (80, 'level')"));
        OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_COMMIT));
        autocommit(link, SQL_AUTOCOMMIT_ON);
    }
    SQLUINTEGER own = number_of(link, SQL_DEFAULT_TXN_ISOLATION);
    assert_int_equal(own & claimed, own);
    assert_int_not_equal(own, 0);
    OK(odbc.SQLSetConnectAttr(link->dbc, SQL_ATTR_TXN_ISOLATION, (SQLPOINTER)(uintptr_t)own, 0));
}

/* Two transactions that have written, in different tables. */
static bool several_at_once(Link *link, const Place *place) {
    Link second;
    open_place(&second, place);
    assert_true(works(link, place, "CREATE TABLE @claims_c (a integer)"));
    autocommit(link, SQL_AUTOCOMMIT_OFF);
    autocommit(&second, SQL_AUTOCOMMIT_OFF);
    assert_true(works(link, place, "INSERT INTO @claims_c VALUES (1)"));
    bool both = works(&second, place, "INSERT INTO @claims_a VALUES (90, 'second')");
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, second.dbc, SQL_ROLLBACK));
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link->dbc, SQL_ROLLBACK));
    autocommit(link, SQL_AUTOCOMMIT_ON);
    link_close(&second);
    return both;
}

/* A cursor that was open goes on behind the end of a transaction. */
static bool cursor_outlives(Link *link, const Place *place, SQLSMALLINT completion) {
    Link cursor = *link;
    char sql[200];
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &cursor.stmt));
    autocommit(link, SQL_AUTOCOMMIT_OFF);
    assert_true(works(link, place, "UPDATE @claims_a SET b = 'z' WHERE a = 1"));
    snprintf(sql, sizeof sql, "SELECT a FROM %sclaims_a ORDER BY a", place->prefix);
    run_ok(&cursor, sql);
    OK(odbc.SQLFetch(cursor.stmt));
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, link->dbc, completion));
    bool goes_on =
        odbc.SQLFetch(cursor.stmt) == SQL_SUCCESS && strcmp(text_of(&cursor, 1), "2") == 0;
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, cursor.stmt));
    autocommit(link, SQL_AUTOCOMMIT_ON);
    return goes_on;
}

static void transactions(void **state) {
    for (size_t p = 0; p < PLACES; p++) {
        const Place *place = &places[p];
        Link link;
        if (!possible(place)) continue;
        open_place(&link, place);
        prepare(&link, place);
        SQLUSMALLINT capable = (SQLUSMALLINT)number_of(&link, SQL_TXN_CAPABLE);
        SQLUSMALLINT commit = (SQLUSMALLINT)number_of(&link, SQL_CURSOR_COMMIT_BEHAVIOR),
                     rollback = (SQLUSMALLINT)number_of(&link, SQL_CURSOR_ROLLBACK_BEHAVIOR);
        if (capable == SQL_TC_NONE) {
            assert_int_equal(number_of(&link, SQL_TXN_ISOLATION_OPTION), 0);
            assert_int_equal(number_of(&link, SQL_DEFAULT_TXN_ISOLATION), 0);
            assert_false(yes_of(&link, SQL_MULTIPLE_ACTIVE_TXN));
            assert_true(!place->writes || !place->catalog[0]); /* none by default: not its own */
        } else if (place->writes) {
            assert_int_equal(capable, capability(&link, place));
            assert_int_equal(capable == SQL_TC_DDL_COMMIT, place->ddl_commits);
            levels_tried(&link, place);
            bool both = several_at_once(&link, place);
            assert_int_equal(both, place->several);
            assert_int_equal(both, yes_of(&link, SQL_MULTIPLE_ACTIVE_TXN));
            assert_int_equal(commit, SQL_CB_PRESERVE);
            assert_true(cursor_outlives(&link, place, SQL_COMMIT));
            assert_int_equal(rollback, SQL_CB_PRESERVE);
            assert_true(cursor_outlives(&link, place, SQL_ROLLBACK));
        }
        clear(&link, place);
        link_close(&link);
    }
}

/* ---- types */

#define TYPES 64

typedef struct Listed {
    char name[40], spelled[160];
} Listed;

/* What SQLGetTypeInfo lists, each with the largest CREATE_PARAMS that it tells. */
static size_t types_listed(Link *link, Listed *out) {
    size_t count = 0;
    OK(odbc.SQLGetTypeInfo(link->stmt, SQL_ALL_TYPES));
    while (SQL_SUCCEEDED(odbc.SQLFetch(link->stmt))) {
        char size[40], params[40], scale[40];
        Listed *row = &out[count++];
        assert_in_range(count, 1, TYPES);
        snprintf(row->name, sizeof row->name, "%s", text_of(link, 1));
        snprintf(size, sizeof size, "%s", text_of(link, 3));
        snprintf(params, sizeof params, "%s", text_of(link, 6));
        snprintf(scale, sizeof scale, "%s", text_of(link, 15));
        if (strcmp(params, "(null)") == 0)
            snprintf(row->spelled, sizeof row->spelled, "%s", row->name);
        else if (strchr(params, ','))
            snprintf(row->spelled, sizeof row->spelled, "%s(%s,%s)", row->name, size, scale);
        else
            snprintf(row->spelled, sizeof row->spelled, "%s(%s)", row->name,
                     strstr(params, "length") ? size : scale);
    }
    OK(odbc.SQLFreeStmt(link->stmt, SQL_CLOSE));
    return count;
}

static bool is_listed(const Listed *types, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, name) == 0) return true;
    return false;
}

/* Columns can be made of each, and are of one of them then. */
static void types(void **state) {
    for (size_t p = 0; p < PLACES; p++) {
        const Place *place = &places[p];
        Listed listed[TYPES];
        Link link;
        if (!place->writes || !place->catalog[0] || !possible(place)) continue;
        open_place(&link, place);
        size_t count = types_listed(&link, listed);
        assert_in_range(count, 15, TYPES);
        for (size_t i = 0; i < count; i++) {
            char sql[200];
            clear(&link, place);
            snprintf(sql, sizeof sql, "CREATE TABLE @claims_a (k integer, c %s)",
                     listed[i].spelled);
            if (!works(&link, place, sql)) fail_msg("%s: %s", place->name, listed[i].spelled);
            OK(odbc.SQLColumns(link.stmt, (SQLCHAR *)place->catalog, SQL_NTS, NULL, 0,
                               (SQLCHAR *)"claims_a", SQL_NTS, (SQLCHAR *)"c", SQL_NTS));
            OK(odbc.SQLFetch(link.stmt));
            if (!is_listed(listed, count, text_of(&link, 6)))
                fail_msg("%s: %s became a column of a type that is not listed", place->name,
                         listed[i].spelled);
            OK(odbc.SQLFreeStmt(link.stmt, SQL_CLOSE));
        }
        clear(&link, place);
        link_close(&link);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(statements),
        cmocka_unit_test(cursors),
        cmocka_unit_test(transactions),
    };
    return cmocka_run_group_tests_name("what SQLGetInfo says about writing", tests, load, unload);
}
