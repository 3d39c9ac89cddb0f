/*
 * test_catalog.c - catalog functions over real sources: keys, foreign keys and statistics of SQLite (and of
 * MariaDB where TRIB_TEST_MYSQL_HOST says one), and lists of 20,000 tables in ten catalogs beside a dead one.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#define CATALOGS 10
#define TABLES   2000

static Odbc odbc;
static char folder[] = "/tmp/tributary_catalog_XXXXXX";
static char connection[500];

static void database(const char *name, const char *sql) {
    char file[64];
    snprintf(file, sizeof file, "%s.db", name);
    sqlite_file_make(folder, file, sql);
}

static void many_tables(const char *name) {
    static char sql[TABLES * 64];
    size_t used = (size_t)snprintf(sql, sizeof sql, "PRAGMA journal_mode=OFF; BEGIN;");
    for (int i = 0; i < TABLES; i++)
        used += (size_t)snprintf(sql + used, sizeof sql - used, "CREATE TABLE listed%04d (a);", i);
    snprintf(sql + used, sizeof sql - used, "COMMIT;");
    database(name, sql);
}

static void config_write(void) {
    char path[300];
    const char *host = getenv("TRIB_TEST_MYSQL_HOST");
    snprintf(path, sizeof path, "%s/config", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "{ \"catalogs\": {\n");
    for (int i = 0; i < CATALOGS; i++)
        fprintf(file, "\"many%d\": {\"type\": \"sqlite\", \"path\": \"%s/many%d.db\"},\n", i,
                folder, i);
    fprintf(file, "\"gone\": {\"type\": \"sqlite\", \"path\": \"%s/nothing/gone.db\"},\n", folder);
    if (host)
        fprintf(
            file,
            "\"maria\": {\"type\": \"mysql\", \"host\": \"%s\", \"port\": %s, \"user\": \"%s\", "
            "\"password\": \"${env:TRIB_TEST_MYSQL_PASSWORD}\", \"tls\": \"off\"},\n",
            host, getenv("TRIB_TEST_MYSQL_PORT"), getenv("TRIB_TEST_MYSQL_USER"));
    fprintf(file, "\"keys\": {\"type\": \"sqlite\", \"path\": \"%s/keys.db\"} } }\n", folder);
    fclose(file);
    snprintf(connection, sizeof connection, "Config=%s;ConnectorPath=%s;Metastore=:memory:", path,
             CONNECTOR_PATH);
}

static int load(void **state) {
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < CATALOGS; i++) {
        char name[20];
        snprintf(name, sizeof name, "many%d", i);
        many_tables(name);
    }
    database(
        "keys",
        "CREATE TABLE regions (country TEXT NOT NULL, code INTEGER NOT NULL, name TEXT,"
        " PRIMARY KEY (country, code));"
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT UNIQUE, boss INTEGER"
        " REFERENCES People ON DELETE SET NULL, country TEXT, code INTEGER,"
        " FOREIGN KEY (country, code) REFERENCES regions ON UPDATE CASCADE);"
        "CREATE TABLE badges (number TEXT NOT NULL UNIQUE, person INTEGER REFERENCES people (id)"
        " ON DELETE RESTRICT, lost INTEGER REFERENCES nowhere (id));"
        "CREATE VIEW v AS SELECT * FROM people;"
        "INSERT INTO people (id) VALUES (1), (2), (3);");
    config_write();
    odbc_load(&odbc, REAL_DRIVER);
    return 0;
}

static int unload(void **state) {
    char command[400];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static void open3(Link *link) {
    link_open(link, &odbc, SQL_OV_ODBC3, connection, false);
}

/* The rows of the open result as `a|b|c` lines of the columns asked for (zero ends them). */
static const char *rows_text(Link *link, const SQLUSMALLINT *columns) {
    static char out[4096];
    size_t used = 0;
    SQLRETURN result;
    out[0] = 0;
    while ((result = odbc.SQLFetch(link->stmt)) == SQL_SUCCESS) {
        for (int i = 0; columns[i]; i++)
            used += (size_t)snprintf(out + used, sizeof out - used, "%s%s", i ? "|" : "",
                                     text_of(link, columns[i]));
        used += (size_t)snprintf(out + used, sizeof out - used, "\n");
        assert_true(used < sizeof out);
    }
    assert_int_equal(result, SQL_NO_DATA);
    close_cursor(link);
    return out;
}

static SQLCHAR *text(const char *s) {
    return (SQLCHAR *)(uintptr_t)s;
}

static void foreign_keys(void **state) {
    static const SQLUSMALLINT all[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0};
    Link link;
    open3(&link);
    OK(odbc.SQLForeignKeys(link.stmt, NULL, 0, NULL, 0, NULL, 0, text("keys"), SQL_NTS,
                           text("main"), SQL_NTS, text("people"), SQL_NTS));
    assert_string_equal(rows_text(&link, all),
                        "keys|main|people|id|keys|main|people|boss|1|3|2|fk_people_1\n"
                        "keys|main|regions|country|keys|main|people|country|1|0|3|fk_people_0\n"
                        "keys|main|regions|code|keys|main|people|code|2|0|3|fk_people_0\n");
    OK(odbc.SQLForeignKeys(link.stmt, text("keys"), SQL_NTS, NULL, 0, text("people"), SQL_NTS, NULL,
                           0, NULL, 0, NULL, 0));
    assert_string_equal(rows_text(&link, all),
                        "keys|main|people|id|keys|main|badges|person|1|3|1|fk_badges_1\n"
                        "keys|main|people|id|keys|main|people|boss|1|3|2|fk_people_1\n");
    OK(odbc.SQLForeignKeys(link.stmt, text("keys"), SQL_NTS, NULL, 0, text("People"), SQL_NTS,
                           text("keys"), SQL_NTS, NULL, 0, text("badges"), SQL_NTS));
    assert_string_equal(rows_text(&link, all),
                        "keys|main|people|id|keys|main|badges|person|1|3|1|fk_badges_1\n");
    OK(odbc.SQLForeignKeys(link.stmt, text("keys"), SQL_NTS, NULL, 0, text("nobody"), SQL_NTS, NULL,
                           0, NULL, 0, NULL, 0));
    assert_string_equal(rows_text(&link, all), "");
    link_close(&link);
}

static void keys(void **state) {
    static const SQLUSMALLINT primary[] = {1, 2, 3, 4, 5, 0}, special[] = {1, 2, 4, 8, 0},
                              statistics[] = {4, 6, 7, 8, 9, 10, 11, 0};
    Link link;
    open3(&link);
    OK(odbc.SQLPrimaryKeys(link.stmt, text("keys"), SQL_NTS, text("main"), SQL_NTS, text("regions"),
                           SQL_NTS));
    assert_string_equal(rows_text(&link, primary),
                        "keys|main|regions|country|1\nkeys|main|regions|code|2\n");
    OK(odbc.SQLStatistics(link.stmt, text("keys"), SQL_NTS, NULL, 0, text("people"), SQL_NTS,
                          SQL_INDEX_UNIQUE, SQL_QUICK));
    assert_string_equal(rows_text(&link, statistics),
                        "(null)|(null)|0|(null)|(null)|(null)|3\n"
                        "0|PRIMARY KEY|3|1|id|A|(null)\n"
                        "0|sqlite_autoindex_people_1|3|1|email|A|(null)\n");
    OK(odbc.SQLSpecialColumns(link.stmt, SQL_BEST_ROWID, text("keys"), SQL_NTS, NULL, 0,
                              text("people"), SQL_NTS, SQL_SCOPE_CURROW, SQL_NULLABLE));
    assert_string_equal(rows_text(&link, special), "2|id|bigint|1\n");
    OK(odbc.SQLSpecialColumns(link.stmt, SQL_BEST_ROWID, text("keys"), SQL_NTS, NULL, 0,
                              text("badges"), SQL_NTS, SQL_SCOPE_SESSION, SQL_NO_NULLS));
    assert_string_equal(rows_text(&link, special), "2|number|varchar|1\n");
    OK(odbc.SQLSpecialColumns(link.stmt, SQL_ROWVER, text("keys"), SQL_NTS, NULL, 0, text("badges"),
                              SQL_NTS, SQL_SCOPE_SESSION, SQL_NO_NULLS));
    assert_string_equal(rows_text(&link, special), "");
    OK(odbc.SQLPrimaryKeys(link.stmt, text("keys"), SQL_NTS, NULL, 0, text("v"), SQL_NTS));
    assert_string_equal(rows_text(&link, primary), "");
    link_close(&link);
}

static void server(Link *link, const char *sql) {
    if (!SQL_SUCCEEDED(run(link, sql)))
        fail_msg("%s: %s", sql, (diag_of(&odbc, SQL_HANDLE_STMT, link->stmt), diag_message()));
    close_cursor(link);
}

/* The tables are those of tests/fixtures/mysql.sql. */
static void foreign_keys_of_mariadb(void **state) {
    static const SQLUSMALLINT all[] = {1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0};
    Link link;
    if (!getenv("TRIB_TEST_MYSQL_HOST")) skip();
    open3(&link);
    server(&link, "SELECT count(*) FROM maria.keys_db.order_lines");
    OK(odbc.SQLForeignKeys(link.stmt, NULL, 0, NULL, 0, NULL, 0, text("maria"), SQL_NTS,
                           text("keys_db"), SQL_NTS, text("order_lines"), SQL_NTS));
    assert_string_equal(rows_text(&link, all),
                        "maria|keys_db|orders|order_id|keys_db|order_lines|order_id|1|1|0|"
                        "line_order|PRIMARY|7\n");
    OK(odbc.SQLForeignKeys(link.stmt, text("maria"), SQL_NTS, text("keys_db"), SQL_NTS,
                           text("orders"), SQL_NTS, NULL, 0, NULL, 0, NULL, 0));
    assert_string_equal(rows_text(&link, all),
                        "maria|keys_db|orders|order_id|keys_db|order_lines|order_id|1|1|0|"
                        "line_order|PRIMARY|7\n");
    link_close(&link);
}

/* ---------------------------------------------------------------- SQLNativeSql */

static const char *native(Link *link, const char *sql) {
    static char out[1000];
    SQLINTEGER n = -1;
    OK(odbc.SQLNativeSql(link->dbc, text(sql), SQL_NTS, (SQLCHAR *)out, sizeof out, &n));
    assert_int_equal(n, strlen(out));
    return out;
}

/* What SQLite is sent is a statement of SQLite with the same rows. */
static void sent_to_sqlite(const char *sql, int expected) {
    char path[300];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int rows = 0;
    snprintf(path, sizeof path, "%s/keys.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    while (sqlite3_step(stmt) == SQLITE_ROW) rows++;
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    assert_int_equal(rows, expected);
}

static void native_sql(void **state) {
    static const char *const ours[] = {
        "SELECT p.id FROM keys.main.people p JOIN many1.main.listed0001 t ON p.id = t.a",
        "SELECT id FROM keys.main.people WHERE id = ?", "SELECT {fn NOW()}", "no statement at all"};
    Link link;
    SQLINTEGER n;
    SQLCHAR cut[8];
    open3(&link);
    const char *sent = native(&link, "SELECT id FROM keys.main.people");
    assert_string_not_equal(sent, "SELECT id FROM keys.main.people");
    sent_to_sqlite(sent, 3);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_string_equal(native(&link, ours[i]), ours[i]);
    INFO(odbc.SQLNativeSql(link.dbc, text(ours[3]), SQL_NTS, cut, sizeof cut, &n));
    assert_string_equal((char *)cut, "no stat");
    assert_int_equal(n, strlen(ours[3]));
    FAILS(odbc.SQLNativeSql(link.dbc, NULL, SQL_NTS, cut, sizeof cut, &n));
    link_close(&link);
}

/* ---------------------------------------------------------------- many tables */

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long list_all(Link *link, SQLSMALLINT *warnings) {
    SQLCHAR state[6], message[500];
    SQLRETURN result;
    long rows = 0;
    INFO(odbc.SQLTables(link->stmt, NULL, 0, NULL, 0, text("listed____"), SQL_NTS, text("TABLE"),
                        SQL_NTS));
    for (*warnings = 0;
         odbc.SQLGetDiagRec(SQL_HANDLE_STMT, link->stmt, (SQLSMALLINT)(*warnings + 1), state, NULL,
                            message, sizeof message, NULL) == SQL_SUCCESS;
         (*warnings)++) {
        assert_string_equal((char *)state, "01000");
        assert_non_null(strstr((char *)message, "gone"));
    }
    while ((result = odbc.SQLFetch(link->stmt)) == SQL_SUCCESS) rows++;
    assert_int_equal(result, SQL_NO_DATA);
    close_cursor(link);
    return rows;
}

/* From the cache the list takes less than a second of processor time, however busy the machine is. */
static void twenty_thousand(void **state) {
    Link link;
    SQLSMALLINT warnings;
    open3(&link);
    assert_int_equal(list_all(&link, &warnings), CATALOGS * TABLES);
    assert_int_equal(warnings, 1);
    double before = processor_seconds();
    assert_int_equal(list_all(&link, &warnings), CATALOGS * TABLES);
    double seconds = processor_seconds() - before;
    assert_int_equal(warnings, 1);
    print_message("%d tables of %d catalogs: %.3f s\n", CATALOGS * TABLES, CATALOGS, seconds);
    assert_true(seconds < 1.0);
    /* A catalog that is asked for by name and cannot be read is an error. */
    FAILS(odbc.SQLTables(link.stmt, text("gone"), SQL_NTS, NULL, 0, NULL, 0, NULL, 0));
    assert_non_null(strstr((diag_of(&odbc, SQL_HANDLE_STMT, link.stmt), diag_message()), "gone"));
    link_close(&link);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_keys),
        cmocka_unit_test(keys),
        cmocka_unit_test(foreign_keys_of_mariadb),
        cmocka_unit_test(native_sql),
        cmocka_unit_test(twenty_thousand),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
