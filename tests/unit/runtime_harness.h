/*
 * runtime_harness.h - sessions over the fake connector, for tests of the runtime.
 */
#ifndef TRIB_TEST_RUNTIME_HARNESS_H
#define TRIB_TEST_RUNTIME_HARNESS_H

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/arena.h"
#include "engine/base/os.h"
#include "engine/tributary.h"
#include "tests/unit/fake_connector.h"
#include "tests/unit/test_base.h"

#define FOLDERS "tests/unit/.libs:.libs"

/* `catalogs`: members of the configuration's object; `settings` too, each with a comma before it. */
static inline Session *open_session(const char *settings, const char *catalogs) {
    Buf text;
    Error err;
    Session *session;
    buf_init(&text, NULL, (size_t)1 << 20);
    buf_printf(&text,
               "{\"settings\": {\"connector_path\": \"" FOLDERS
               "\", \"metastore\": \":memory:\"%s}, \"catalogs\": {%s}}",
               settings, catalogs);
    SessionParams params = {.config_text = buf_view(&text), .deadline_ns = INT64_MAX};
    Status status = session_open(&params, NULL, NULL, &session, &err);
    if (status != TRIB_OK) fail_msg("%s (%s)", err.message, err.detail);
    buf_clear(&text);
    return session;
}

static inline Statement *open_statement(Session *session) {
    Statement *statement;
    Error err;
    assert_int_equal(statement_new(session, &statement, &err), TRIB_OK);
    return statement;
}

/* Prepares and executes. */
static inline Status start_query(Statement *statement, const char *sql, Error *err) {
    TRY(statement_prepare(statement, str_from(sql), err));
    return statement_execute(statement, err);
}

/* Reads to the end, or `most` rows; counts rows and adds up the first column (bigint or integer). */
static inline Status read_rows(Statement *statement, uint64_t most, uint64_t *rows, int64_t *sum,
                               Error *err) {
    *rows = 0;
    *sum = 0;
    while (*rows < most) {
        const BatchView *batch;
        TRY(statement_fetch(statement, &batch, err));
        if (batch->rows == 0) break;
        for (uint32_t r = 0; r < batch->rows; r++) {
            const ColumnView *c = &batch->columns[0];
            uint32_t at = c->form == COLUMN_CONSTANT ? 0
                          : batch->selection         ? batch->selection[r]
                                                     : r;
            if (c->physical == PHYS_INT64) *sum += ((const int64_t *)c->data)[at];
            if (c->physical == PHYS_INT32) *sum += ((const int32_t *)c->data)[at];
        }
        *rows += batch->rows;
    }
    return TRIB_OK;
}

static inline void run_query(Session *session, const char *sql, uint64_t rows, int64_t sum) {
    Statement *statement = open_statement(session);
    Error err;
    uint64_t n = 0;
    int64_t s = 0;
    Status status = start_query(statement, sql, &err);
    if (status == TRIB_OK) status = read_rows(statement, UINT64_MAX, &n, &s, &err);
    if (status != TRIB_OK) fail_msg("%s: %s (%s)", sql, err.message, err.detail);
    assert_int_equal(n, rows);
    assert_int_equal(s, sum);
    statement_free(statement);
}

static inline FakeCounters *harness_counters(void) {
    void *object = dlopen("tests/unit/.libs/trib_fake.so", RTLD_NOW | RTLD_LOCAL);
    if (!object) fail_msg("%s", dlerror());
    FakeCounters *(*get)(void) = (FakeCounters * (*)(void)) dlsym(object, "fake_counters");
    assert_non_null(get);
    return get();
}

static inline void pause_ms(int64_t ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

#endif
