/*
 * test_verify.c - PushDown=verify finds sources that lie, and no lie where there is none.
 */
#include "config.h"

#include "engine/exec/verify_sample.h"
#include "tests/unit/runtime_harness.h"

#define LIAR   "\"f\": {\"type\": \"fake\", \"rows\": 5000, \"take\": \"limit\", \"lie\": \"values\"}"
#define HONEST "\"f\": {\"type\": \"fake\", \"rows\": 5000, \"take\": \"limit\"}"
#define VERIFY ", \"push_down\": \"verify\""

/* The ids are right and so is their number: only the texts are from nowhere. */
static const char *const limited[] = {
    "SELECT id, text FROM f.main.orders LIMIT 10",
    "SELECT id, text FROM f.main.orders ORDER BY id LIMIT 10",
    "SELECT id, text FROM f.main.orders ORDER BY id LIMIT 7 OFFSET 3",
    "SELECT id, text FROM f.main.orders LIMIT 4000",
    ("SELECT max(id) FROM (SELECT id, text FROM f.main.orders ORDER BY id LIMIT 9) x WHERE text IS "
     "NOT NULL"),
};

static Status run_all(Session *session, const char *sql, Error *err) {
    Statement *statement = open_statement(session);
    uint64_t rows;
    int64_t sum;
    Status status = start_query(statement, sql, err);
    if (status == TRIB_OK) status = read_rows(statement, UINT64_MAX, &rows, &sum, err);
    statement_free(statement);
    return status;
}

static void lies_are_found(void **state) {
    static const char *const threads[] = {VERIFY ", \"threads\": 1", VERIFY ", \"threads\": 4"};
    for (size_t t = 0; t < COUNT_OF(threads); t++) {
        Session *session = open_session(threads[t], LIAR);
        for (size_t i = 0; i < COUNT_OF(limited); i++) {
            Error err;
            if (run_all(session, limited[i], &err) == TRIB_OK) fail_msg("believed: %s", limited[i]);
            assert_non_null(strstr(err.message, "are not among those"));
            assert_string_equal(err.source, "f");
        }
        session_close(session);
    }
}

/* Without verify the same source is believed: the lie is really told. */
static void lies_are_told(void **state) {
    Session *session = open_session("", LIAR);
    Statement *statement = open_statement(session);
    Error err;
    const BatchView *batch;
    assert_int_equal(
        start_query(statement, "SELECT text FROM f.main.orders ORDER BY id LIMIT 1", &err),
        TRIB_OK);
    assert_int_equal(statement_fetch(statement, &batch, &err), TRIB_OK);
    assert_int_equal(batch->rows, 1);
    Buf text;
    buf_init(&text, NULL, 100);
    assert_int_equal(column_value_text(&batch->columns[0], 0, &text, &err), TRIB_OK);
    assert_str(buf_view(&text), "ghost 0");
    buf_clear(&text);
    statement_free(statement);
    session_close(session);
}

static void honest_sources_pass(void **state) {
    static const char *const settings[] = {VERIFY ", \"threads\": 1", VERIFY ", \"threads\": 4",
                                           VERIFY ", \"force_spill\": true"};
    for (size_t t = 0; t < COUNT_OF(settings); t++) {
        Session *session = open_session(settings[t], HONEST);
        for (size_t i = 0; i < COUNT_OF(limited); i++) {
            Error err;
            if (run_all(session, limited[i], &err) != TRIB_OK)
                fail_msg("%s: %s", limited[i], err.message);
        }
        run_query(session, "SELECT id FROM f.main.orders ORDER BY id LIMIT 10", 10, 45);
        run_query(session, "SELECT id FROM f.main.orders LIMIT 0", 0, 0);
        run_query(session, "SELECT count(*) FROM f.main.orders", 1, 5000);
        session_close(session);
    }
}

/* ---------------------------------------------------------------- the sample */

static uint64_t left_of(int64_t memory, uint64_t added, uint64_t taken, uint64_t foreign) {
    Budget *budget = budget_new(NULL, "test", memory);
    Grant grant;
    SampleList lists[2] = {{0}, {0}};
    SampleTable table = {0};
    uint64_t random = 88172645463325252u, again = random;
    assert_true(grant_init(&grant, budget, 0, false));
    for (uint64_t i = 0; i < added; i++) sample_add(&lists[i & 1], &grant, test_random(&random));
    for (uint64_t i = 0; i < foreign; i++) sample_add(&lists[0], &grant, test_random(&random));
    lists[0].next = &lists[1];
    sample_join(&table, &grant, lists);
    for (uint64_t i = 0; i < taken; i++) sample_take(&table, test_random(&again));
    uint64_t left = sample_left(&table);
    for (int i = 0; i < 2; i++) sample_clear(&lists[i], &grant);
    sample_table_clear(&table, &grant);
    assert_int_equal(budget_used(budget), 0);
    grant_clear(&grant);
    budget_free(budget);
    return left;
}

static void samples(void **state) {
    assert_int_equal(left_of(INT64_C(1) << 30, 100000, 100000, 0), 0);
    assert_int_equal(left_of(INT64_C(1) << 30, 100000, 99990, 0), 10);
    assert_int_equal(left_of(INT64_C(1) << 30, 100000, 100000, 5), 5);
    assert_int_equal(left_of(INT64_C(1) << 30, 0, 10, 0), 0);
    /* With little memory a part of them is looked at: nothing right is called wrong, many lies are found. */
    assert_int_equal(left_of(INT64_C(1) << 20, 1000000, 1000000, 0), 0);
    uint64_t found = left_of(INT64_C(1) << 20, 1000000, 1000000, 100000);
    assert_true(found > 100 && found < 10000);
    assert_int_equal(left_of(1000, 100000, 0, 0), 0); /* none at all */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_are_found),
        cmocka_unit_test(lies_are_told),
        cmocka_unit_test(honest_sources_pass),
        cmocka_unit_test(samples),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
