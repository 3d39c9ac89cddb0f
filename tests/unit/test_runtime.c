/*
 * test_runtime.c - sessions and statements: which thread runs what, and what is loaded when.
 */
#include "config.h"

#include <dirent.h>

#include "engine/runtime/pool.h"
#include "tests/unit/runtime_harness.h"

#define CATALOGS "\"f\": {\"type\": \"fake\", \"rows\": 100}, \"g\": {\"type\": \"fake\"}"

static uint32_t count_threads(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static bool is_loaded(const char *name) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    bool found = false;
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) found = found || strstr(line, name);
    fclose(maps);
    return found;
}

/* Nothing is loaded before its catalog is used, and a statement without tables starts no thread. */
static void light_statements(void **state) {
    assert_false(is_loaded("trib_fake"));
    uint32_t before = count_threads();
    Session *session = open_session("", CATALOGS);
    run_query(session, "SELECT 1", 1, 1);
    run_query(session, "VALUES 1, 2, 40", 3, 43);
    run_query(session, "SELECT CASE WHEN 1 < 2 THEN 7 ELSE 1 / 0 END", 1, 7);
#ifndef TRIB_ASAN
    assert_int_equal(count_threads(), before);
#endif
    assert_false(is_loaded("trib_fake"));
    run_query(session, "SELECT id FROM f.main.orders", 100, 4950);
    assert_true(is_loaded("trib_fake"));
    session_close(session);
    assert_true(count_threads() >= before);
}

static void light_errors(void **state) {
    Session *session = open_session("", CATALOGS);
    Statement *statement = open_statement(session);
    Error err;
    uint64_t rows;
    int64_t sum;
    assert_int_not_equal(statement_prepare(statement, STR("SELECT x"), &err), TRIB_OK);
    assert_string_equal(err.sqlstate, "42S22");
    assert_int_equal(start_query(statement, "SELECT 1 / 0", &err), TRIB_OK);
    assert_int_not_equal(read_rows(statement, UINT64_MAX, &rows, &sum, &err), TRIB_OK);
    assert_string_equal(err.sqlstate, "22012");
    statement_free(statement);
    session_close(session);
}

/* ---------------------------------------------------------------- small stacks */

typedef struct SmallStack {
    Session *session;
    const char *sql;
    int64_t sum;
} SmallStack;

static void *on_small_stack(void *context) {
    SmallStack *self = context;
    run_query(self->session, self->sql, 1, self->sum);
    return NULL;
}

/* Returns the bytes of the stack that were touched. */
static size_t run_on_stack(size_t size, SmallStack *work) {
    pthread_attr_t attributes;
    pthread_t thread;
    char *stack = aligned_alloc(4096, size);
    assert_non_null(stack);
    memset(stack, 0x5a, size);
    pthread_attr_init(&attributes);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, size), 0);
    assert_int_equal(pthread_create(&thread, &attributes, on_small_stack, work), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    size_t untouched = 0;
    while (untouched < size && stack[untouched] == 0x5a) untouched++;
    free(stack);
    return size - untouched;
}

/* The deepest light statements fit where they are allowed; deeper ones go to a deep stack. */
static void small_stacks(void **state) {
#ifdef __SANITIZE_THREAD__
    skip(); /* it wants stacks of a megabyte for itself */
#endif
    static const char *const deep[] = {
        "SELECT ((((((((((((((((((((((7))))))))))))))))))))))",
        "SELECT - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - - "
        "- - - 7",
        "SELECT "
        "coalesce(coalesce(coalesce(coalesce(coalesce(coalesce(coalesce(coalesce(coalesce(7))))))))"
        ")",
        "SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT 7))))))))",
        "SELECT CASE WHEN 1 < 2 THEN CASE WHEN 1 < 2 THEN CASE WHEN 1 < 2 THEN CASE WHEN 1 < 2 "
        "THEN 7 END END END END",
    };
#ifdef TRIB_ASAN
    const size_t most = SIZE_MAX; /* its red zones are on the stack too */
#else
    const size_t most = (size_t)128 << 10;
#endif
    Session *session = open_session("", CATALOGS);
    for (size_t i = 0; i < COUNT_OF(deep); i++) {
        SmallStack work = {session, deep[i], 7};
        size_t used = run_on_stack((size_t)208 << 10, &work);
        if (used > most) fail_msg("%s takes %zu bytes of stack", deep[i], used);
        (void)run_on_stack((size_t)96 << 10, &work);
    }
    Buf text;
    buf_init(&text, NULL, 1 << 16);
    buf_text(&text, "SELECT ");
    for (int i = 0; i < 900; i++) buf_char(&text, '(');
    buf_char(&text, '7');
    for (int i = 0; i < 900; i++) buf_char(&text, ')');
    buf_char(&text, '\0');
    SmallStack work = {session, text.data, 7};
    (void)run_on_stack((size_t)208 << 10, &work);
    buf_clear(&text);
    session_close(session);
}

/* ---------------------------------------------------------------- executed with its preparation */

static Status start_direct(Statement *statement, const char *sql, Error *err) {
    bool done;
    TRY(statement_direct_start(statement, str_from(sql), err));
    return statement_wait(statement, -1, &done, err);
}

static Status execute_started(Statement *statement, Error *err) {
    bool done;
    TRY(statement_execute_start(statement, err));
    return statement_wait(statement, -1, &done, err);
}

static void direct_execution(void **state) {
    Session *session =
        open_session("", CATALOGS ", \"h\": {\"type\": \"fake\", \"fail\": \"plan\"}");
    FakeCounters *counters = harness_counters();
    Statement *statement = open_statement(session);
    Error err;
    uint64_t rows;
    int64_t sum;
    int32_t scans = atomic_load(&counters->scans);
    assert_int_equal(start_direct(statement, "SELECT id FROM f.main.orders", &err), TRIB_OK);
    assert_int_equal(execute_started(statement, &err), TRIB_OK);
    assert_int_equal(read_rows(statement, UINT64_MAX, &rows, &sum, &err), TRIB_OK);
    assert_int_equal(rows, 100);
    assert_int_equal(sum, 4950);
    assert_int_equal(atomic_load(&counters->scans) - scans, 1); /* ran once */
    /* A second execution is a new one. */
    assert_int_equal(execute_started(statement, &err), TRIB_OK);
    assert_int_equal(read_rows(statement, UINT64_MAX, &rows, &sum, &err), TRIB_OK);
    assert_int_equal(rows, 100);
    assert_int_equal(atomic_load(&counters->scans) - scans, 2);
    /* A failure of the execution is told by the execution. */
    assert_int_equal(start_direct(statement, "SELECT id FROM h.main.orders", &err), TRIB_OK);
    assert_int_equal(execute_started(statement, &err), TRIB_DATA);
    assert_string_equal(err.message, "the fake source cannot plan");
    /* What was executed ahead and never asked for is closed. */
    assert_int_equal(start_direct(statement, "SELECT id FROM f.main.orders", &err), TRIB_OK);
    assert_int_equal(start_direct(statement, "SELECT 5", &err), TRIB_OK);
    assert_int_equal(execute_started(statement, &err), TRIB_OK);
    assert_int_equal(read_rows(statement, UINT64_MAX, &rows, &sum, &err), TRIB_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(sum, 5);
    assert_int_equal(start_direct(statement, "SELECT id FROM f.main.orders", &err), TRIB_OK);
    statement_free(statement);
    session_close(session);
}

/* ---------------------------------------------------------------- one session ends as another begins */

typedef struct Errand {
    Task task; /* first: the pool hands it back */
    int slices;
    _Atomic bool done;
} Errand;

static TaskStep errand_run(Task *task) {
    return ((Errand *)task)->slices-- > 0 ? TASK_YIELD : TASK_DONE;
}

static void errand_done(Task *task) {
    atomic_store(&((Errand *)task)->done, true);
}

static pthread_barrier_t round_begins, round_ends;

enum { ROUNDS = 1000 };

static void *let_go(void *unused) {
    for (int i = 0; i < ROUNDS; i++) {
        pool_acquire();
        pthread_barrier_wait(&round_begins);
        pool_release();
        pthread_barrier_wait(&round_ends);
    }
    return NULL;
}

/* The task of a session that begins runs to its end, although the last other one ends meanwhile. */
static void ends_and_beginnings(void **state) {
    pthread_t other;
    Error err;
    pthread_barrier_init(&round_begins, NULL, 2);
    pthread_barrier_init(&round_ends, NULL, 2);
    assert_int_equal(pthread_create(&other, NULL, let_go, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        static Errand errand; /* the pool may still have it when the test fails */
        errand = (Errand){.slices = i % 300};
        task_init(&errand.task, errand_run, errand_done);
        pthread_barrier_wait(&round_begins);
        pool_acquire();
        assert_int_equal(pool_need(1, &err), TRIB_OK);
        task_wake(&errand.task);
        int64_t until = os_now_ns() + INT64_C(20000000000);
        while (!atomic_load(&errand.done) && os_now_ns() < until) sched_yield();
        if (!atomic_load(&errand.done)) fail_msg("round %d: the task was left behind", i);
        pthread_barrier_wait(&round_ends);
        pool_release();
    }
    pthread_join(other, NULL);
    pthread_barrier_destroy(&round_begins);
    pthread_barrier_destroy(&round_ends);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(light_statements),    cmocka_unit_test(light_errors),
        cmocka_unit_test(small_stacks),        cmocka_unit_test(direct_execution),
        cmocka_unit_test(ends_and_beginnings),
    };
    return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
