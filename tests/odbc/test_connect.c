/*
 * test_connect.c - connections of the real driver through the manager: file data sources, completed strings,
 * the log and its secrets, pooling on and off, time-outs.
 */
#include "tests/odbc/odbc_test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Odbc odbc;
static char folder[] = "/tmp/tributary_connect_XXXXXX";
#define SECRET "swordfish-4711"

static const char *path_of(const char *name) {
    static char paths[4][200];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *file_read(const char *name) {
    static char text[1 << 20];
    FILE *file = fopen(path_of(name), "r");
    assert_non_null(file);
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    return text;
}

static int load(void **state) {
    char text[1000];
    assert_non_null(mkdtemp(folder));
    snprintf(text, sizeof text,
             "[ODBC]\nPooling=No\n"
             "[Plain]\nDriver=%s\nThreading=0\n",
             REAL_DRIVER);
    file_write(folder, "odbcinst.ini", text);
    file_write(folder, "config.json",
               "{ \"catalogs\": { \"one\": { \"type\": \"memory\" },"
               " \"two\": { \"type\": \"memory\" } } }\n");
    snprintf(text, sizeof text,
             "[Demo]\nDriver=Plain\nConfig=%s\nConnectorPath=%s\nMetastore=:memory:\nCatalog=two\n"
             "PWD=" SECRET "\n",
             path_of("config.json"), CONNECTOR_PATH);
    file_write(folder, "odbc.ini", text);
    setenv("ODBCSYSINI", folder, 1);
    setenv("ODBCINI", "/nonexistent", 1);
    odbc_load(&odbc, "libodbc.so.2");
    return 0;
}

static int unload(void **state) {
    char command[300];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

static SQLHENV environment(void) {
    SQLHENV env;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env));
    OK(odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3_80, 0));
    return env;
}

static SQLRETURN connect_to(SQLHDBC dbc, const char *string, char *out, SQLSMALLINT size) {
    SQLSMALLINT length;
    return odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)(uintptr_t)string, SQL_NTS, (SQLCHAR *)out,
                                 size, &length, SQL_DRIVER_NOPROMPT);
}

static const char *string_of(const char *driver, const char *more) {
    static char strings[4][1000];
    static int turn;
    char *string = strings[turn++ % 4];
    snprintf(string, sizeof strings[0],
             "Driver=%s;Config=%s;ConnectorPath=%s;Metastore=:memory:;%s", driver,
             path_of("config.json"), CONNECTOR_PATH, more);
    return string;
}

static const char *catalog_of(SQLHDBC dbc) {
    static char name[100];
    OK(odbc.SQLGetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, name, sizeof name, NULL));
    return name;
}

/* ---------------------------------------------------------------- strings */

/* A completed string connects again, without the secret and without what nobody knows. */
static void completed(void **state) {
    SQLHENV env = environment();
    SQLHDBC dbc;
    char out[2000], again[2000];
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    INFO(connect_to(dbc, string_of("Plain", "DATABASE=one;PWD=" SECRET ";Fruit=pear;MaxRows=7"),
                    out, sizeof out));
    assert_string_equal(diag_of(&odbc, SQL_HANDLE_DBC, dbc), "01S00");
    assert_null(strstr(diag_message(), SECRET));
    assert_non_null(strstr(out, "Catalog=one"));
    assert_non_null(strstr(out, "MaxRows=7"));
    assert_null(strstr(out, SECRET));
    assert_null(strstr(out, "pear"));
    OK(odbc.SQLDisconnect(dbc));
    OK(connect_to(dbc, out, again, sizeof again));
    assert_string_equal(again, out);
    assert_string_equal(catalog_of(dbc), "one");
    OK(odbc.SQLDisconnect(dbc));
    OK(connect_to(dbc, "DSN=Demo;DATABASE=one", out,
                  sizeof out)); /* the string wins over the source */
    assert_non_null(strstr(out, "DSN=Demo"));
    assert_null(strstr(out, SECRET));
    assert_string_equal(catalog_of(dbc), "one");
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

/* A file data source holds the keywords; the manager reads it, and writes one with SAVEFILE. */
static void file_data_source(void **state) {
    SQLHENV env = environment();
    SQLHDBC dbc;
    char text[1000], out[2000];
    snprintf(text, sizeof text,
             "[ODBC]\nDRIVER=Plain\nConfig=%s\nConnectorPath=%s\nMetastore=:memory:\nCatalog=two\n",
             path_of("config.json"), CONNECTOR_PATH);
    file_write(folder, "demo.dsn", text);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    snprintf(text, sizeof text, "FILEDSN=%s", path_of("demo.dsn"));
    SQLRETURN result = connect_to(dbc, text, out, sizeof out);
    if (!SQL_SUCCEEDED(result))
        fail_msg("%s %s", diag_of(&odbc, SQL_HANDLE_DBC, dbc), diag_message());
    assert_string_equal(catalog_of(dbc), "two");
    OK(odbc.SQLDisconnect(dbc));
    snprintf(text, sizeof text, "FILEDSN=%s;DATABASE=one", path_of("demo.dsn"));
    assert_true(SQL_SUCCEEDED(connect_to(dbc, text, out, sizeof out)));
    assert_string_equal(catalog_of(dbc), "one");
    OK(odbc.SQLDisconnect(dbc));
    snprintf(text, sizeof text, "SAVEFILE=%s;%s", path_of("saved.dsn"),
             string_of("Plain", "Catalog=one;PWD=" SECRET));
    assert_true(SQL_SUCCEEDED(connect_to(dbc, text, out, sizeof out)));
    OK(odbc.SQLDisconnect(dbc));
    assert_null(strstr(out, SECRET));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

/* ---------------------------------------------------------------- the log */

/* At the highest level the log names calls and statements, and no secret. */
static void log_without_secrets(void **state) {
    SQLHENV env = environment();
    SQLHDBC dbc;
    SQLHSTMT stmt;
    char more[400], out[2000];
    file_write(
        folder, "secret.json",
        "{ \"catalogs\": { \"maria\": { \"type\": \"mysql\", \"host\": \"127.0.0.1\", \"port\": 1,"
        " \"user\": \"u\", \"password\": \"" SECRET "\" } } }\n");
    assert_int_equal(chmod(path_of("secret.json"), 0600), 0);
    snprintf(more, sizeof more,
             "Driver=Plain;Config=%s;ConnectorPath=%s;Metastore=:memory:;LogLevel=trace;LogFile=%s;"
             "UID=ann;PWD=" SECRET,
             path_of("secret.json"), CONNECTOR_PATH, path_of("log"));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    OK(connect_to(dbc, more, out, sizeof out));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    OK(odbc.SQLExecDirect(stmt, (SQLCHAR *)"SELECT 1", SQL_NTS));
    OK(odbc.SQLFreeStmt(stmt, SQL_CLOSE));
    FAILS(odbc.SQLExecDirect(stmt, (SQLCHAR *)"SELECT * FROM maria.s.t", SQL_NTS));
    assert_null(strstr((diag_of(&odbc, SQL_HANDLE_STMT, stmt), diag_message()), SECRET));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    OK(odbc.SQLDisconnect(dbc));
    OK(connect_to(dbc, string_of("Plain", "LogLevel=off"), out, sizeof out));
    OK(odbc.SQLDisconnect(dbc));
    const char *log = file_read("log");
    assert_non_null(strstr(log, "SQLExecDirect"));
    assert_null(strstr(log, SECRET));
    struct stat info;
    assert_int_equal(stat(path_of("log"), &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

/* ---------------------------------------------------------------- pooling */

static SQLUINTEGER number_of(SQLHDBC dbc, SQLINTEGER attribute) {
    SQLUINTEGER value = 0;
    OK(odbc.SQLGetConnectAttr(dbc, attribute, &value, 0, NULL));
    return value;
}

/* A connection, changed in every way that a program can, and given back. */
static void use_and_leave(SQLHENV env, const char *string) {
    SQLHDBC dbc;
    SQLHSTMT stmt;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    assert_true(SQL_SUCCEEDED(connect_to(dbc, string, NULL, 0)));
    assert_int_equal(number_of(dbc, SQL_ATTR_CONNECTION_DEAD), SQL_CD_FALSE);
    OK(odbc.SQLSetConnectAttr(dbc, SQL_ATTR_CURRENT_CATALOG, "two", SQL_NTS));
    OK(odbc.SQLSetConnectAttr(dbc, SQL_ATTR_AUTOCOMMIT, (SQLPOINTER)SQL_AUTOCOMMIT_OFF, 0));
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt));
    OK(odbc.SQLExecDirect(stmt, (SQLCHAR *)"SET SESSION max_rows = 1", SQL_NTS));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    OK(odbc.SQLEndTran(SQL_HANDLE_DBC, dbc, SQL_ROLLBACK));
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
}

/* Whoever connects next finds nothing of that. */
static void find_fresh(SQLHENV env, const char *string) {
    SQLHDBC dbc;
    Link link = {.odbc = &odbc};
    int rows = 0;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    assert_true(SQL_SUCCEEDED(connect_to(dbc, string, NULL, 0)));
    assert_string_equal(catalog_of(dbc), "one");
    assert_int_equal(number_of(dbc, SQL_ATTR_AUTOCOMMIT), SQL_AUTOCOMMIT_ON);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &link.stmt));
    run_ok(&link, "SELECT * FROM (VALUES 1, 2, 3) v (a)");
    while (odbc.SQLFetch(link.stmt) == SQL_SUCCESS) rows++;
    assert_int_equal(rows, 3);
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, link.stmt));
    OK(odbc.SQLDisconnect(dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
}

/* Connections that follow each other, in a process of its own: the manager's choice to pool is one for all that a
 * process connects, and it keeps what it pools, so that this also ends with connections open. */
static int connect_in_turn(const char *where) {
    snprintf(folder, sizeof folder, "%s", where);
    odbc_load(&odbc, "libodbc.so.2");
    SQLHENV env = environment();
    for (int i = 0; i < 3; i++) {
        const char *string = string_of("Plain", "Catalog=one");
        use_and_leave(env, string);
        find_fresh(env, string);
    }
    return 0;
}

static void pooling(void **state) {
    static const char *const choices[] = {"No", "Yes"};
    char manager[300], text[1000];
    snprintf(manager, sizeof manager, "%s/manager", folder);
    assert_int_equal(mkdir(manager, 0700), 0);
    for (int pooled = 0; pooled < 2; pooled++) {
        snprintf(text, sizeof text,
                 "[ODBC]\nPooling=%s\n[Plain]\nDriver=%s\nThreading=0\nCPTimeout=%d\n",
                 choices[pooled], REAL_DRIVER, pooled * 60);
        file_write(manager, "odbcinst.ini", text);
        pid_t child = fork();
        if (child == 0) {
            setenv("ODBCSYSINI", manager, 1);
            if (pooled) setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
            execl("/proc/self/exe", "test_connect", "in turn", folder, (char *)NULL);
            _exit(95);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("pooling %s: status %x", choices[pooled], status);
    }
}

/* ---------------------------------------------------------------- time */

/* A configuration that never comes is not waited for longer than SQL_ATTR_LOGIN_TIMEOUT says. */
static void login_timeout(void **state) {
    SQLHENV env = environment();
    SQLHDBC dbc;
    char string[500];
    time_t start = time(NULL);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    snprintf(string, sizeof string,
             "Driver=Plain;Config=%s;ConnectorPath=%s;Metastore=:memory:", path_of("fifo"),
             CONNECTOR_PATH);
    OK(odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc));
    OK(odbc.SQLSetConnectAttr(dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)1, 0));
    FAILS(connect_to(dbc, string, NULL, 0));
    assert_non_null(strstr((diag_of(&odbc, SQL_HANDLE_DBC, dbc), diag_message()), "fifo"));
    assert_true(time(NULL) - start <= 20); /* a busy machine */
    OK(odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc));
    OK(odbc.SQLFreeHandle(SQL_HANDLE_ENV, env));
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "in turn") == 0) return connect_in_turn(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completed),           cmocka_unit_test(file_data_source),
        cmocka_unit_test(log_without_secrets), cmocka_unit_test(pooling),
        cmocka_unit_test(login_timeout),
    };
    return cmocka_run_group_tests_name("connections", tests, load, unload);
}
