/*
 * test_guest.c - the driver as a guest of a process that unloads it, ends, or forks at any moment:
 * DontDLClose=0 (the manager closes the driver's library when the last connection goes), exit and
 * the return of main while other threads are inside the driver, fork while others fetch.
 *
 * Parts that end the process run in a child that this program starts of itself.
 */
#include "tests/connectors/sqlite_file.h"
#include "tests/odbc/odbc_test.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ROUNDS     12
#define RSS_GROWTH 600 /* what is freed is kept back */
#else
#define ROUNDS     50
#define RSS_GROWTH 24
#endif

#define TABLE_ROWS 20000
#define PATIENCE_S 20 /* of the parent, for a child that hangs */

static Odbc odbc;
static char folder[] = "/tmp/tributary_guest_XXXXXX";
static char connection[300];

static void file_path(char *out, size_t size, const char *name) {
    snprintf(out, size, "%s/%s", folder, name);
}

static int load(void **state) {
    char text[900];
    assert_non_null(mkdtemp(folder));
    sqlite_file_items(folder, TABLE_ROWS);
    snprintf(text, sizeof text,
             "{\"settings\": {\"connector_path\": \"" CONNECTOR_PATH
             "\", \"metastore\": \":memory:\", \"threads\": 2},\n"
             "\"catalogs\": {\"lite\": {\"type\": \"sqlite\", \"path\": \"%s/items.db\"}}}\n",
             folder);
    file_write(folder, "config.json", text);
    file_write(folder, "odbcinst.ini",
               "[Trib]\nDriver=" REAL_DRIVER "\nThreading=0\nDontDLClose=0\nFileUsage=1\n");
    snprintf(text, sizeof text, "[Demo]\nDriver=Trib\nConfig=%s/config.json\n", folder);
    file_write(folder, "odbc.ini", text);
    snprintf(connection, sizeof connection, "Config=%s/config.json", folder);
    setenv("ODBCSYSINI", folder, 1);
    /* the user's file too: unixODBC looks for a source in one of them for all its threads */
    file_path(text, sizeof text, "odbc.ini");
    setenv("ODBCINI", text, 1);
    return 0;
}

static int unload(void **state) {
    static const char *const names[] = {"items.db", "config.json", "odbcinst.ini", "odbc.ini"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[200];
        file_path(path, sizeof path, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* ---------------------------------------------------------------- state of the process */

static int entries_of(const char *path) {
    int count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir)) count++;
    closedir(dir);
    return count;
}

static long rss_mib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &pages, &resident), 2);
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE) / (1 << 20);
}

/* Mappings of the driver's code: one when it is loaded, however often. */
static int mappings_of_driver(void) {
    char line[1000];
    int count = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        count += strstr(line, " r-xp ") && strstr(line, "libtributary.so");
    fclose(file);
    return count;
}

static const char join[] =
    "SELECT count(*), sum(a.id) FROM lite.main.items a JOIN lite.main.items b ON a.t = b.t";
static const char sort[] =
    "SELECT a.id, b.t FROM lite.main.items a CROSS JOIN lite.main.items b WHERE b.id < 40 "
    "ORDER BY b.t, a.id DESC";
static const char rows[] = "SELECT a.id, b.t FROM lite.main.items a CROSS JOIN lite.main.items b";

static void expect_join(Link *link) {
    char sum[30];
    snprintf(sum, sizeof sum, "%d", TABLE_ROWS / 2 * (TABLE_ROWS - 1));
    run_ok(link, join);
    OK(odbc.SQLFetch(link->stmt));
    assert_string_equal(text_of(link, 2), sum);
    close_cursor(link);
}

/* ---------------------------------------------------------------- unloading */

static void *query_once(void *unused) {
    static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER; /* text_of is */
    Link link;
    link_open(&link, &odbc, SQL_OV_ODBC3, "DSN=Demo", false);
    run_ok(&link, rows);
    for (int i = 0; i < 10; i++) OK(odbc.SQLFetch(link.stmt));
    close_cursor(&link);
    pthread_mutex_lock(&one_at_a_time);
    expect_join(&link);
    pthread_mutex_unlock(&one_at_a_time);
    run_ok(&link, rows); /* the connection goes with an open cursor */
    OK(odbc.SQLFetch(link.stmt));
    link_close(&link);
    return NULL;
}

static void unloading(void **state) {
    int tasks = 0, files = 0;
    long rss = 0;
    odbc_load(&odbc, "libodbc.so.2");
    assert_int_equal(mappings_of_driver(), 0);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t threads[2];
        for (int k = 0; k < 2; k++)
            assert_int_equal(pthread_create(&threads[k], NULL, query_once, NULL), 0);
        for (int k = 0; k < 2; k++) pthread_join(threads[k], NULL);
        query_once(NULL);
        assert_int_equal(mappings_of_driver(), 1); /* its threads and buffers may live on */
        if (i != ROUNDS / 4) continue;
        tasks = entries_of("/proc/self/task");
        files = entries_of("/proc/self/fd");
        rss = rss_mib();
    }
    for (int i = 0; i < 40 && entries_of("/proc/self/task") > tasks; i++) usleep(50000);
    print_message("threads %d -> %d, descriptors %d -> %d, RSS %ld -> %ld MiB\n", tasks - 2,
                  entries_of("/proc/self/task") - 2, files, entries_of("/proc/self/fd"), rss,
                  rss_mib());
    assert_true(entries_of("/proc/self/task") <= tasks + 2); /* workers, up to the setting */
    assert_true(entries_of("/proc/self/fd") <= files + 8);   /* connections that a source keeps */
    assert_true(rss_mib() - rss <= RSS_GROWTH);
}

/* ---------------------------------------------------------------- ending */

static _Atomic int busy_threads;

static _Atomic bool ends; /* calls may fail now: then there is nothing left to do */

static void attempt(SQLSMALLINT kind, SQLHANDLE handle, SQLRETURN result) {
    if (result == SQL_SUCCESS) return;
    SQLCHAR state[6] = "", message[400] = "";
    if (!atomic_load(&ends)) {
        (void)odbc.SQLGetDiagRec(kind, handle, 1, state, NULL, message, sizeof message, NULL);
        fprintf(stderr, "%d: %s %s\n", result, (char *)state, (char *)message);
        _exit(93);
    }
    for (;;) pause();
}

#define ON_ENV(call)  attempt(SQL_HANDLE_ENV, link->env, odbc.call)
#define ON_DBC(call)  attempt(SQL_HANDLE_DBC, link->dbc, odbc.call)
#define ON_STMT(call) attempt(SQL_HANDLE_STMT, link->stmt, odbc.call)

static void attempt_open(Link *link, const char *string) {
    memset(link, 0, sizeof *link);
    ON_ENV(SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &link->env));
    ON_ENV(SQLSetEnvAttr(link->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0));
    ON_ENV(SQLAllocHandle(SQL_HANDLE_DBC, link->env, &link->dbc));
    ON_DBC(SQLDriverConnect(link->dbc, NULL, (SQLCHAR *)(uintptr_t)string, SQL_NTS, NULL, 0, NULL,
                            SQL_DRIVER_NOPROMPT));
    ON_DBC(SQLAllocHandle(SQL_HANDLE_STMT, link->dbc, &link->stmt));
}

static void attempt_query(Link *link, const char *sql) {
    ON_STMT(SQLExecDirect(link->stmt, (SQLCHAR *)(uintptr_t)sql, SQL_NTS));
    ON_STMT(SQLFetch(link->stmt));
    atomic_fetch_add(&busy_threads, 1);
}

static void *busy_for_ever(void *string) {
    Link opened, *link = &opened;
    SQLBIGINT id;
    attempt_open(link, string);
    ON_STMT(SQLBindCol(link->stmt, 1, SQL_C_SBIGINT, &id, 0, NULL));
    for (;;) {
        attempt_query(link, rows);
        for (int i = 0; i < 5000; i++) ON_STMT(SQLFetch(link->stmt));
        ON_STMT(SQLFreeStmt(link->stmt, SQL_CLOSE));
    }
    return NULL;
}

/* Its workers encrypt and write all the time. */
static void *spill_for_ever(void *string) {
    Link opened, *link = &opened;
    char spilling[400];
    snprintf(spilling, sizeof spilling, "%s;ForceSpill=true", (const char *)string);
    attempt_open(link, spilling);
    for (;;) {
        attempt_query(link, sort);
        ON_STMT(SQLFreeStmt(link->stmt, SQL_CLOSE));
    }
    return NULL;
}

static void *connect_for_ever(void *string) {
    for (;;) {
        Link opened, *link = &opened;
        attempt_open(link, string);
        attempt_query(link, "SELECT 1");
        ON_STMT(SQLFreeHandle(SQL_HANDLE_STMT, link->stmt));
        ON_DBC(SQLDisconnect(link->dbc));
        ON_ENV(SQLFreeHandle(SQL_HANDLE_DBC, link->dbc));
        ON_ENV(SQLFreeHandle(SQL_HANDLE_ENV, link->env));
    }
    return NULL;
}

static void *exit_now(void *delay) {
    usleep((useconds_t)(uintptr_t)delay);
    atomic_store(&ends, true);
    exit(0);
}

/* mode: 0 exit by main, 1 main returns, 2 exit by another thread */
static int end_busily(const char *library, const char *string, int mode, unsigned delay) {
    static void *(*const work[])(void *) = {busy_for_ever, busy_for_ever, spill_for_ever,
                                            connect_for_ever};
    pthread_t thread;
    void *argument = (void *)(uintptr_t)string;
    odbc_load(&odbc, library);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&thread, NULL, work[i], argument) != 0) return 96;
    for (int i = 0; i < 20000 && atomic_load(&busy_threads) < 4; i++) usleep(500);
    if (atomic_load(&busy_threads) < 4) return 94;
    if (mode == 2) {
        if (pthread_create(&thread, NULL, exit_now, (void *)(uintptr_t)delay) != 0) return 96;
        busy_for_ever(argument);
    }
    usleep(delay);
    atomic_store(&ends, true);
    if (mode == 0) exit(0);
    return 0;
}

/* Waits for a child, which must end with 0 soon. */
static void expect_end(pid_t child, const char *what) {
    int status = -1, gone = 0;
    for (int i = 0; i < PATIENCE_S * 100 && gone == 0; i++) {
        gone = waitpid(child, &status, WNOHANG);
        if (gone == 0) usleep(10000);
    }
    if (gone == 0) {
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        fail_msg("%s hangs", what);
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s ended with %#x", what, (unsigned)status);
}

/* The driver has its path: unixODBC may miss a data source that several threads look for, and remembers
 * for 20 s that it did. */
static void ending(void **state) {
    static const char *const libraries[] = {REAL_DRIVER, "libodbc.so.2"};
    char managed[700];
    snprintf(managed, sizeof managed, "Driver=%s;%s", REAL_DRIVER, connection);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char mode[4], delay[12], what[100];
        const char *library = libraries[i % 2], *string = i % 2 ? managed : connection;
        snprintf(mode, sizeof mode, "%u", i / 2 % 3);
        snprintf(delay, sizeof delay, "%u", i * 3571 % 40000);
        snprintf(what, sizeof what, "end %s after %s us, %s", mode, delay, library);
        pid_t child = fork();
        if (child == 0) { /* what threads at work hold when a process ends is no leak */
            setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
            execl("/proc/self/exe", "test_guest", "end", library, string, mode, delay,
                  (char *)NULL);
            _exit(95);
        }
        expect_end(child, what);
    }
}

/* ---------------------------------------------------------------- forking */

typedef struct Forker {
    Link idle;                /* with an open cursor, nobody inside */
    _Atomic(SQLHSTMT) in_use; /* other threads are inside */
    _Atomic bool stop;
    _Atomic int fetched;
    SQLHDBC dbc;
} Forker;

static void *fetch_until_stopped(void *context) {
    Forker *self = context;
    SQLHSTMT stmt;
    SQLBIGINT id;
    OK(odbc.SQLAllocHandle(SQL_HANDLE_STMT, self->dbc, &stmt));
    self->in_use = stmt;
    OK(odbc.SQLBindCol(stmt, 1, SQL_C_SBIGINT, &id, 0, NULL));
    while (!atomic_load(&self->stop)) {
        OK(odbc.SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)rows, SQL_NTS));
        for (int i = 0; i < 3000; i++) OK(odbc.SQLFetch(stmt));
        OK(odbc.SQLFreeStmt(stmt, SQL_CLOSE));
        atomic_fetch_add(&self->fetched, 1);
    }
    OK(odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt));
    return NULL;
}

/* In the child: the number of the first thing that is wrong, 0 if all is right. */
static int child_work(Forker *self) {
    SQLHENV env;
    SQLHDBC dbc;
    SQLHSTMT stmt;
    SQLBIGINT sum = 0;
    SQLLEN length;
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (odbc.SQLFetch(self->idle.stmt) != SQL_ERROR) return 1;
    if (odbc.SQLFetch(self->in_use) != SQL_ERROR) return 2; /* somebody of the parent holds it */
    if (odbc.SQLCancel(self->in_use) != SQL_ERROR) return 3;
    if (odbc.SQLFreeHandle(SQL_HANDLE_STMT, self->idle.stmt) != SQL_ERROR) return 4;
    if (odbc.SQLExecDirect(self->idle.stmt, (SQLCHAR *)"SELECT 1", SQL_NTS) != SQL_ERROR) return 5;
    if (odbc.SQLDisconnect(self->dbc) != SQL_ERROR) return 6;
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (end.tv_sec - start.tv_sec > 1) return 7;
    if (odbc.SQLAllocHandle(SQL_HANDLE_ENV, NULL, &env) != SQL_SUCCESS) return 8;
    if (odbc.SQLSetEnvAttr(env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0) != SQL_SUCCESS)
        return 9;
    if (odbc.SQLAllocHandle(SQL_HANDLE_DBC, env, &dbc) != SQL_SUCCESS) return 10;
    if (odbc.SQLDriverConnect(dbc, NULL, (SQLCHAR *)connection, SQL_NTS, NULL, 0, NULL,
                              SQL_DRIVER_NOPROMPT) != SQL_SUCCESS)
        return 11;
    if (odbc.SQLAllocHandle(SQL_HANDLE_STMT, dbc, &stmt) != SQL_SUCCESS) return 12;
    for (int i = 0; i < 2; i++) {
        if (odbc.SQLExecDirect(stmt, (SQLCHAR *)(uintptr_t)join, SQL_NTS) != SQL_SUCCESS) return 13;
        if (odbc.SQLFetch(stmt) != SQL_SUCCESS) return 14;
        if (odbc.SQLGetData(stmt, 2, SQL_C_SBIGINT, &sum, 0, &length) != SQL_SUCCESS) return 15;
        if (sum != TABLE_ROWS / 2 * (TABLE_ROWS - 1)) return 16;
        if (odbc.SQLFreeStmt(stmt, SQL_CLOSE) != SQL_SUCCESS) return 17;
    }
    if (odbc.SQLFreeHandle(SQL_HANDLE_STMT, stmt) != SQL_SUCCESS) return 18;
    if (odbc.SQLDisconnect(dbc) != SQL_SUCCESS) return 19;
    if (odbc.SQLFreeHandle(SQL_HANDLE_DBC, dbc) != SQL_SUCCESS) return 20;
    return odbc.SQLFreeHandle(SQL_HANDLE_ENV, env) != SQL_SUCCESS ? 21 : 0;
}

static void forking(void **state) {
    Forker self = {.stop = false};
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    skip(); /* they do not see that the stacks of the parent's threads are free memory in a child */
#endif
    pthread_t threads[4];
    odbc_load(&odbc, REAL_DRIVER);
    link_open(&self.idle, &odbc, SQL_OV_ODBC3, connection, false);
    self.dbc = self.idle.dbc;
    run_ok(&self.idle, rows);
    OK(odbc.SQLFetch(self.idle.stmt));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_until_stopped, &self), 0);
    while (atomic_load(&self.fetched) < 4) usleep(1000);
    for (int i = 0; i < ROUNDS / 2; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            int wrong = child_work(&self);
            if (i % 2) _exit(wrong);
            exit(wrong); /* the driver's own handlers run in the child too */
        }
        expect_end(child, "a child of fork");
        usleep((useconds_t)(i * 137 % 3000));
    }
    atomic_store(&self.stop, true);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    OK(odbc.SQLFetch(self.idle.stmt)); /* the parent goes on */
    link_close(&self.idle);
}

int main(int argc, char **argv) {
    if (argc == 6 && strcmp(argv[1], "end") == 0)
        return end_busily(argv[2], argv[3], (int)strtol(argv[4], NULL, 10),
                          (unsigned)strtoul(argv[5], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unloading),
        cmocka_unit_test(ending),
        cmocka_unit_test(forking),
    };
    return cmocka_run_group_tests_name("a guest of the process", tests, load, unload);
}
