/*
 * test_planning.c - the time of planning grows with the statement, not with its square.
 *
 * Measured is the processor time of EXPLAIN for a size and for four times the size, by turns, the best of
 * each: quadratic steps would make the ratio 16. Larger statements leave the caches and take fresh pages from
 * the system, all the more on a machine that does other things beside: up to 7 were seen without such steps.
 * A ratio that is too large is measured further before it is believed.
 */
#include "config.h"

#include <time.h>

#include "tests/unit/runtime_harness.h"

#define RUNS      3
#define RUNS_MOST 20
#define RATIO_MAX 10.0

static Session *session;

static int open_tables(void **state) {
    session = open_session("", "\"mem\": {\"type\": \"memory\"}");
    Statement *statement = open_statement(session);
    Error err;
    if (start_query(statement, "CREATE TABLE mem.default.t AS SELECT 1 AS id, 2 AS v", &err))
        fail_msg("%s", err.message);
    statement_free(statement);
    return 0;
}

static int close_tables(void **state) {
    session_close(session);
    return 0;
}

/* ---------------------------------------------------------------- statements of a size */

static void joins(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT count(*) FROM mem.default.t t0");
    for (uint32_t i = 1; i < n; i++)
        buf_printf(out, " JOIN mem.default.t t%u ON t%u.id = t%u.id", i, i, i - 1);
}

static void outer_joins(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT max(t0.v) FROM mem.default.t t0");
    for (uint32_t i = 1; i < n; i++)
        buf_printf(out, " LEFT JOIN mem.default.t t%u ON t%u.id = t0.id", i, i);
}

static void unions(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN ");
    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%sSELECT id FROM mem.default.t WHERE id = %u", i ? " UNION ALL " : "", i);
}

static void disjunction(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT count(*) FROM mem.default.t WHERE ");
    for (uint32_t i = 0; i < n; i++)
        buf_printf(out, "%s(id = %u AND v < %u)", i ? " OR " : "", i, i);
}

static void conjunction(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT count(*) FROM mem.default.t WHERE ");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%sid <> %u", i ? " AND " : "", i);
}

static void sum_of_terms(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT ");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%sid * %u", i ? " + " : "", i);
    buf_text(out, " FROM mem.default.t");
}

static void list_of_values(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT count(*) FROM mem.default.t WHERE id IN (");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%s%u", i ? ", " : "", i * 3);
    buf_text(out, ")");
}

static void cases(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT CASE");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, " WHEN id = %u THEN v + %u", i, i);
    buf_text(out, " END FROM mem.default.t");
}

static void select_list(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT ");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%sid + %u AS c%u", i ? ", " : "", i, i);
    buf_text(out, " FROM mem.default.t");
}

/* Each name is looked for among as many. */
static void wide_relation(Buf *out, uint32_t n) {
    buf_text(out, "EXPLAIN SELECT ");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%sw.c%u", i ? ", " : "", i);
    buf_text(out, " FROM (SELECT ");
    for (uint32_t i = 0; i < n; i++) buf_printf(out, "%sid + %u AS c%u", i ? ", " : "", i, i);
    buf_text(out, " FROM mem.default.t) w");
}

/* ---------------------------------------------------------------- times */

static double processor_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

typedef struct Sized {
    Buf sql;
    double best; /* seconds */
} Sized;

static void sized_begin(Sized *self, void (*write)(Buf *, uint32_t), uint32_t n) {
    buf_init(&self->sql, NULL, (size_t)1 << 20);
    write(&self->sql, n);
    buf_char(&self->sql, '\0');
    assert_non_null(self->sql.data);
    self->best = 1e9;
}

static void sized_run(Sized *self, Statement *statement) {
    Error err;
    double start = processor_seconds();
    if (start_query(statement, self->sql.data, &err) != TRIB_OK)
        fail_msg("%s: %s", err.sqlstate, err.message);
    double seconds = processor_seconds() - start;
    if (seconds < self->best) self->best = seconds;
}

static void growth(void **state) {
    static const struct {
        const char *name;
        void (*write)(Buf *, uint32_t);
        uint32_t n;
    } kinds[] = {
        {"joins", joins, 250},
        {"outer joins", outer_joins, 250},
        {"unions", unions, 250},
        {"OR", disjunction, 500},
        {"AND", conjunction, 500},
        {"+", sum_of_terms, 450},
        {"IN", list_of_values, 2000},
        {"CASE", cases, 500},
        {"select list", select_list, 500},
        {"wide relation", wide_relation, 750},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        Statement *statement = open_statement(session);
        Sized small, large;
        double ratio = 0;
        int runs = 0;
        sized_begin(&small, kinds[i].write, kinds[i].n);
        sized_begin(&large, kinds[i].write, 4 * kinds[i].n);
        for (; runs < RUNS || (runs < RUNS_MOST && ratio > RATIO_MAX); runs++) {
            sized_run(&small, statement);
            sized_run(&large, statement);
            ratio = large.best / small.best;
        }
        statement_free(statement);
        buf_clear(&small.sql);
        buf_clear(&large.sql);
        print_message("%s: %u in %.1f ms, %u in %.1f ms, %d runs\n", kinds[i].name, kinds[i].n,
                      small.best * 1e3, 4 * kinds[i].n, large.best * 1e3, runs);
        if (ratio > RATIO_MAX)
            fail_msg("%s: four times the size takes %.1f times as long", kinds[i].name, ratio);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth),
    };
    return cmocka_run_group_tests_name("planning", tests, open_tables, close_tables);
}
