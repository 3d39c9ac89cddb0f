/*
 * test_cursors.c - applications that stop reading, connections that run out, scans that read ahead.
 *
 * Rows of the fake connector have the ids split * 1,000,000 + row; a scan that is open holds one of the
 * catalog's connections.
 */
#include "config.h"

#include "engine/source/source.h"
#include "tests/unit/runtime_harness.h"

#define MANY      200000
#define SUM(n)    ((int64_t)(n) * ((int64_t)(n)-1) / 2)
#define SECOND_NS INT64_C(1000000000)

static FakeCounters *counters;

static int load_counters(void **state) {
    counters = harness_counters();
    return 0;
}

/* Waits until so many scans are open; false after a minute or more. */
static bool scans_become(int32_t open) {
    for (int i = 0; i < 6000 && atomic_load(&counters->open_scans) != open; i++) pause_ms(10);
    return atomic_load(&counters->open_scans) == open;
}

static Session *session_of(const char *settings, uint64_t rows, uint32_t connections,
                           const char *more) {
    char catalogs[512];
    (void)text_format(catalogs, sizeof catalogs,
                      "\"f\": {\"type\": \"fake\", \"rows\": %llu, \"max_connections\": %u%s}",
                      (unsigned long long)rows, connections, more);
    return open_session(settings, catalogs);
}

static void read_some(Statement *statement, uint64_t most, uint64_t *rows, int64_t *sum) {
    Error err;
    if (read_rows(statement, most, rows, sum, &err) != TRIB_OK)
        fail_msg("%s (%s)", err.message, err.detail);
}

static void begin(Statement *statement, const char *sql) {
    Error err;
    if (start_query(statement, sql, &err) != TRIB_OK) fail_msg("%s: %s", sql, err.message);
}

/* ---------------------------------------------------------------- a slow application */

typedef struct Stall {
    const char *settings, *sql;
    uint32_t splits;
} Stall;

/* Reads one batch and pauses: the source is read to its end meanwhile, and no row is lost or doubled. */
static void stall(const Stall *self) {
    char more[64];
    (void)text_format(more, sizeof more, ", \"splits\": %u", self->splits);
    Session *session = session_of(self->settings, MANY, self->splits, more);
    Statement *statement = open_statement(session);
    uint64_t first, rest;
    int64_t sum, more_sum, expected = 0;
    begin(statement, self->sql);
    int64_t since = os_now_ns(); /* the last that is taken comes later */
    read_some(statement, 1, &first, &sum);
    assert_true(first > 0 && first < MANY);
    if (!scans_become(0)) fail_msg("%s: the source is still held up", self->settings);
    assert_true(os_now_ns() - since > SECOND_NS / 2);
    read_some(statement, UINT64_MAX, &rest, &more_sum);
    for (uint32_t i = 0; i < self->splits; i++) expected += SUM(MANY) + (int64_t)i * 1000000 * MANY;
    assert_int_equal(first + rest, (uint64_t)MANY * self->splits);
    assert_int_equal(sum + more_sum, expected);
    statement_free(statement);
    session_close(session);
}

static void slow_application(void **state) {
    static const Stall stalls[] = {
        {", \"stall_timeout\": 1, \"threads\": 1", "SELECT id, text FROM f.main.orders", 1},
        {", \"stall_timeout\": 1, \"threads\": 4", "SELECT id, text FROM f.main.orders", 1},
        {", \"stall_timeout\": 1, \"threads\": 2", "SELECT id, text FROM f.main.orders", 3},
        {", \"stall_timeout\": 1, \"threads\": 1, \"force_spill\": true",
         "SELECT id, upper(text) FROM f.main.orders WHERE id >= 0", 1},
        {", \"stall_timeout\": 1, \"threads\": 2, \"memory_limit\": \"8MB\"",
         "SELECT id, text FROM f.main.orders", 1},
    };
    for (size_t i = 0; i < COUNT_OF(stalls); i++) stall(&stalls[i]);
}

/* Closed while it is drained, cancelled while it is drained. */
static void closed_while_drained(void **state) {
    Session *session =
        session_of(", \"stall_timeout\": 1, \"threads\": 1", 1000000, 1, ", \"delay_us\": 5000");
    for (int round = 0; round < 2; round++) {
        Statement *statement = open_statement(session);
        uint64_t rows;
        int64_t sum;
        begin(statement, "SELECT id, text FROM f.main.orders");
        read_some(statement, 1, &rows, &sum);
        int32_t batches = atomic_load(&counters->batches);
        for (int wait = 0; wait < 6000 && atomic_load(&counters->batches) <= batches + 20; wait++)
            pause_ms(10);
        assert_true(atomic_load(&counters->batches) > batches + 20); /* it goes on */
        if (round == 0) statement_close(statement);
        statement_free(statement);
        assert_true(scans_become(0));
    }
    session_close(session);
}

static void stall_never(void **state) {
    Session *session = session_of(", \"stall_timeout\": 0", 1000000, 1, "");
    Statement *statement = open_statement(session);
    uint64_t rows;
    int64_t sum;
    begin(statement, "SELECT id FROM f.main.orders");
    read_some(statement, 1, &rows, &sum);
    pause_ms(1300);
    assert_int_equal(atomic_load(&counters->open_scans), 1);
    statement_free(statement);
    session_close(session);
}

/* ---------------------------------------------------------------- connections run out */

/* The longest idle cursor of the session gives its connection up and keeps its rows. */
static void exhausted_by_own_cursors(void **state) {
    static const char *const settings[] = {
        ", \"stall_timeout\": 0, \"threads\": 1", ", \"stall_timeout\": 0, \"threads\": 4",
        ", \"stall_timeout\": 0, \"threads\": 2, \"force_spill\": true"};
    for (size_t i = 0; i < COUNT_OF(settings); i++) {
        Session *session = session_of(settings[i], MANY, 1, "");
        Statement *one = open_statement(session), *two = open_statement(session);
        uint64_t a, b, rest;
        int64_t sum_a, sum_b, more;
        begin(one, "SELECT id, text FROM f.main.orders");
        read_some(one, 1, &a, &sum_a);
        begin(two, "SELECT id FROM f.main.orders");
        read_some(two, 1, &b, &sum_b);
        run_query(session, "SELECT count(*) FROM f.main.orders", 1, MANY);
        read_some(one, UINT64_MAX, &rest, &more);
        assert_int_equal(a + rest, MANY);
        assert_int_equal(sum_a + more, SUM(MANY));
        read_some(two, UINT64_MAX, &rest, &more);
        assert_int_equal(b + rest, MANY);
        assert_int_equal(sum_b + more, SUM(MANY));
        statement_free(one);
        statement_free(two);
        session_close(session);
    }
}

/* Another session's cursor keeps its connection: the wait ends with HYT00. */
static void exhausted_by_others(void **state) {
    Session *first = session_of(", \"stall_timeout\": 0", MANY, 1, "");
    Session *second = session_of(", \"stall_timeout\": 0", MANY, 1, "");
    Statement *held = open_statement(first), *waiting = open_statement(second);
    Error err;
    uint64_t rows, rest;
    int64_t sum, more;
    begin(held, "SELECT id FROM f.main.orders");
    read_some(held, 1, &rows, &sum);
    source_set_longest_wait(SECOND_NS);
    Status status = start_query(waiting, "SELECT id FROM f.main.orders", &err);
    if (status == TRIB_OK) status = read_rows(waiting, UINT64_MAX, &rest, &more, &err);
    source_set_longest_wait(30 * SECOND_NS);
    assert_int_equal(status, TRIB_TIMEOUT);
    assert_string_equal(err.sqlstate, "HYT00");
    assert_non_null(strstr(err.hint, "max_connections"));
    assert_string_equal(err.source, "f");
    /* So does the statement's own time-out, which is shorter. */
    statement_set_timeout(waiting, 1);
    bool told = false; /* unless the time was up before a connection was asked for */
    for (int i = 0; i < 20 && !told; i++) {
        assert_int_equal(start_query(waiting, "SELECT id FROM f.main.orders", &err), TRIB_TIMEOUT);
        assert_string_equal(err.sqlstate, "HYT00");
        told = strstr(err.hint, "max_connections") != NULL;
    }
    assert_true(told);
    statement_set_timeout(waiting, 0);
    read_some(held, UINT64_MAX, &rest, &more);
    assert_int_equal(rows + rest, MANY);
    assert_int_equal(sum + more, SUM(MANY));
    statement_free(held);
    run_query(second, "SELECT count(*) FROM f.main.orders", 1, MANY);
    statement_free(waiting);
    session_close(first);
    session_close(second);
}

/* Cursors of many threads over one connection, all abandoned half way. */
static void *abandon_cursors(void *context) {
    Session *session = context;
    for (int i = 0; i < 20; i++) {
        Statement *statement = open_statement(session);
        uint64_t rows;
        int64_t sum;
        begin(statement, "SELECT id FROM f.main.orders");
        read_some(statement, 1 + (uint64_t)i * 1000, &rows, &sum);
        statement_free(statement);
    }
    return NULL;
}

static void exhausted_by_threads(void **state) {
    Session *session = session_of(", \"stall_timeout\": 0, \"threads\": 2", 20000, 1, "");
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, abandon_cursors, session), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
    run_query(session, "SELECT count(*) FROM f.main.orders", 1, 20000);
    session_close(session);
}

/* ---------------------------------------------------------------- reading ahead */

#define TWO_CATALOGS(probe, build)                            \
    "\"p\": {\"type\": \"fake\", \"rows\": 60000" probe "}, " \
    "\"b\": {\"type\": \"fake\", \"rows\": 10000" build "}"
#define JOIN "SELECT count(*) FROM p.main.orders p JOIN b.main.orders b ON p.id = b.id"

static uint64_t one_count(Statement *statement) {
    uint64_t rows;
    int64_t sum;
    read_some(statement, UINT64_MAX, &rows, &sum);
    assert_int_equal(rows, 1);
    return (uint64_t)sum;
}

/* The probe side is read while the build side still is, unless a runtime filter is awaited. Unfiltered the
 * build side waits for the probe side; filtered it takes a quarter of a second, and no other scan is open. */
static void prefetch(void **state) {
    for (int filtered = 0; filtered < 2; filtered++) {
        Session *session =
            open_session("", filtered ? TWO_CATALOGS(", \"filters\": true", ", \"delay_us\": 50000")
                                      : TWO_CATALOGS("", ", \"hang\": \"meet\""));
        Statement *statement = open_statement(session);
        int32_t keys = atomic_load(&counters->filter_keys);
        assert_true(scans_become(0));
        atomic_store(&counters->most_scans, 0);
        begin(statement, JOIN);
        assert_int_equal(one_count(statement), 10000);
        assert_int_equal(atomic_load(&counters->most_scans), filtered ? 1 : 2);
        assert_int_equal(atomic_load(&counters->filter_keys) - keys, filtered);
        statement_free(statement);
        session_close(session);
    }
}

/* Read ahead or not, one connection is enough for any number of scans. */
static void prefetch_one_connection(void **state) {
    Session *session = session_of(", \"threads\": 2", 30000, 1, "");
    for (int i = 0; i < 5; i++) {
        run_query(session,
                  "SELECT count(*) FROM f.main.orders a JOIN f.main.orders b ON a.id = b.id "
                  "JOIN f.main.orders c ON b.id = c.id LEFT JOIN f.main.orders d ON d.id = a.id",
                  1, 30000);
        run_query(session,
                  "SELECT count(*) FROM (SELECT id FROM f.main.orders UNION ALL SELECT b.id FROM "
                  "f.main.orders b JOIN f.main.orders c ON b.id = c.id) x",
                  1, 60000);
    }
    session_close(session);
}

/* Joins that finish at the same moment restrict one scan; each builds its right side, the smaller one. */
static void filters_at_once(void **state) {
    Session *session = open_session(
        ", \"threads\": 4, \"disabled_rules\": \"join_order,infer_conditions\"",
        "\"p\": {\"type\": \"fake\", \"rows\": 5000, \"filters\": true}, "
        "\"a\": {\"type\": \"fake\", \"rows\": 2000}, \"b\": {\"type\": \"fake\", \"rows\": 2000}, "
        "\"c\": {\"type\": \"fake\", \"rows\": 700}");
    for (int i = 0; i < 50; i++) {
        int32_t keys = atomic_load(&counters->filter_keys);
        run_query(session,
                  "SELECT count(*) FROM p.main.orders p JOIN a.main.orders a ON p.id = a.id "
                  "JOIN b.main.orders b ON p.id = b.id JOIN c.main.orders c ON p.id = c.id",
                  1, 700);
        assert_int_equal(atomic_load(&counters->filter_keys) - keys, 3);
    }
    session_close(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slow_application),
        cmocka_unit_test(closed_while_drained),
        cmocka_unit_test(stall_never),
        cmocka_unit_test(exhausted_by_own_cursors),
        cmocka_unit_test(exhausted_by_others),
        cmocka_unit_test(exhausted_by_threads),
        cmocka_unit_test(prefetch),
        cmocka_unit_test(prefetch_one_connection),
        cmocka_unit_test(filters_at_once),
    };
    return cmocka_run_group_tests_name("cursors", tests, load_counters, NULL);
}
