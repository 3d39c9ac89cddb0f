/*
 * test_row_buffer.c - rows written by several threads and read again and again: all rows each time, shared
 * readers share them, in memory and on disk; one writer keeps the order; writing goes on after reading.
 */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "engine/exec/row_buffer.h"

#define WRITERS 3
#define BATCHES 40
#define ROWS    (WRITERS * BATCHES * BATCH_ROWS)

typedef struct Fixture {
    Arena *arena;
    CancelToken *cancel;
    EvalSession session;
    NodeCounters counters;
    Query query;
    PhysNode node;
    Type types[2];
    RowBuffer *rows;
} Fixture;

static void fixture_open(Fixture *self, bool force_spill) {
    Error err;
    memset(self, 0, sizeof *self);
    self->arena = arena_new(NULL);
    self->cancel = cancel_new();
    self->types[0] = TYPE(BIGINT);
    self->types[1] = type_varchar(0);
    self->node = (PhysNode){.kind = PHYS_SHARED, .ncolumns = 2, .types = self->types};
    self->query = (Query){.arena = self->arena,
                          .cancel = self->cancel,
                          .session = &self->session,
                          .workers = WRITERS,
                          .force_spill = force_spill,
                          .batch_rows = BATCH_ROWS,
                          .counters = &self->counters};
    self->query.budget = budget_new(NULL, "test", INT64_C(1) << 30);
    assert_int_equal(spill_space_new(STR(""), 0, true, self->cancel, &self->query.spill, &err),
                     TRIB_OK);
    assert_int_equal(row_buffer_new(&self->node, &self->query, &self->rows, &err), TRIB_OK);
}

static void fixture_close(Fixture *self) {
    row_buffer_free(self->rows);
    assert_int_equal(budget_used(self->query.budget), 0);
    spill_space_free(self->query.spill);
    budget_free(self->query.budget);
    cancel_release(self->cancel);
    arena_free(self->arena);
}

/* Row n: n, and a text of n that is outside of its view; every tenth text is NULL. */
static void batch_fill(Batch *batch, Arena *arena, const Type *types, int64_t first) {
    Error err;
    batch_init(batch, arena);
    assert_int_equal(batch_columns(batch, 2, &err), TRIB_OK);
    for (uint32_t c = 0; c < 2; c++)
        assert_int_equal(vector_new(arena, types[c], BATCH_ROWS, &batch->columns[c], &err),
                         TRIB_OK);
    for (uint32_t i = 0; i < BATCH_ROWS; i++) {
        char text[64];
        Value number = {.type = types[0]}, name = {.type = types[1]};
        number.as.integer = first + i;
        snprintf(text, sizeof text, "a text that is long enough, number %lld",
                 (long long)(first + i));
        name.is_null = (first + i) % 10 == 0;
        name.as.text.data = text;
        name.as.text.length = strlen(text);
        assert_int_equal(vector_set(arena, &batch->columns[0], i, &number, &err), TRIB_OK);
        assert_int_equal(vector_set(arena, &batch->columns[1], i, &name, &err), TRIB_OK);
    }
    batch->count = batch->selected = BATCH_ROWS;
}

typedef struct Writing {
    Fixture *fixture;
    int64_t first;
    Status status;
} Writing;

static void *write_rows_of(void *argument) {
    Writing *self = argument;
    RowBufferWriter *writer;
    Error err;
    self->status = row_buffer_writer_new(self->fixture->rows, &writer, &err);
    for (uint32_t b = 0; b < BATCHES && self->status == TRIB_OK; b++) {
        Arena *arena = arena_new(NULL);
        Batch batch;
        batch_fill(&batch, arena, self->fixture->types, self->first + (int64_t)b * BATCH_ROWS);
        self->status = row_buffer_write(writer, &batch, &err);
        arena_free(arena);
    }
    if (self->status == TRIB_OK) self->status = row_buffer_writer_flush(writer, &err);
    return NULL;
}

static void write_all(Fixture *fixture) {
    pthread_t threads[WRITERS];
    Writing writings[WRITERS];
    for (uint32_t w = 0; w < WRITERS; w++) {
        writings[w] = (Writing){fixture, (int64_t)w * BATCHES * BATCH_ROWS, TRIB_OK};
        assert_int_equal(pthread_create(&threads[w], NULL, write_rows_of, &writings[w]), 0);
    }
    for (uint32_t w = 0; w < WRITERS; w++) {
        pthread_join(threads[w], NULL);
        assert_int_equal(writings[w].status, TRIB_OK);
    }
}

typedef struct Reading {
    Fixture *fixture;
    _Atomic uint32_t *next;
    uint64_t rows, sum, wrong;
    bool ordered;
    Status status;
} Reading;

static void check_batch(Reading *self, const Batch *batch) {
    for (uint32_t i = 0; i < batch->selected; i++) {
        uint32_t at = batch_row(batch, i);
        int64_t n = *(const int64_t *)vector_at(&batch->columns[0], at);
        char text[64];
        snprintf(text, sizeof text, "a text that is long enough, number %lld", (long long)n);
        bool null = vector_is_null(&batch->columns[1], at);
        if (null != (n % 10 == 0)) self->wrong++;
        if (!null) {
            const StrView *view = vector_at(&batch->columns[1], at);
            if (view->len != strlen(text) || memcmp(view->ptr, text, view->len) != 0) self->wrong++;
        }
        if (self->ordered && (uint64_t)n != self->rows) self->wrong++;
        self->rows++;
        self->sum += (uint64_t)n;
    }
}

static void *read_rows_of(void *argument) {
    Reading *self = argument;
    Arena *arena = arena_new(NULL), *rows = arena_new(NULL);
    RowBufferReader *reader;
    Batch batch;
    Error err;
    bool some = true;
    batch_init(&batch, rows);
    self->status = row_buffer_reader_new(self->fixture->rows, arena, self->next, &reader, &err);
    while (self->status == TRIB_OK && some) {
        batch_clear(&batch);
        self->status = row_buffer_read(reader, &batch, &some, &err);
        if (self->status == TRIB_OK && some) check_batch(self, &batch);
    }
    row_buffer_reader_end(reader);
    arena_free(rows);
    arena_free(arena);
    return NULL;
}

/* Two readers by themselves and two that share, all at once. */
static void read_all(Fixture *fixture) {
    _Atomic uint32_t next = 0;
    pthread_t threads[4];
    Reading readings[4];
    for (uint32_t r = 0; r < 4; r++) {
        readings[r] = (Reading){.fixture = fixture, .next = r < 2 ? NULL : &next};
        assert_int_equal(pthread_create(&threads[r], NULL, read_rows_of, &readings[r]), 0);
    }
    for (uint32_t r = 0; r < 4; r++) {
        pthread_join(threads[r], NULL);
        assert_int_equal(readings[r].status, TRIB_OK);
        assert_int_equal(readings[r].wrong, 0);
    }
    uint64_t sum = (uint64_t)ROWS * (ROWS - 1) / 2;
    for (uint32_t r = 0; r < 2; r++) {
        assert_int_equal(readings[r].rows, ROWS);
        assert_int_equal(readings[r].sum, sum);
    }
    assert_int_equal(readings[2].rows + readings[3].rows, ROWS);
    assert_int_equal(readings[2].sum + readings[3].sum, sum);
}

static void check_all(bool force_spill) {
    Fixture fixture;
    fixture_open(&fixture, force_spill);
    write_all(&fixture);
    assert_int_equal(row_buffer_rows(fixture.rows), ROWS);
    read_all(&fixture);
    read_all(&fixture);
    assert_int_equal(spill_space_bytes(fixture.query.spill) > 0, force_spill);
    fixture_close(&fixture);
}

static void test_memory(void **state) {
    check_all(false);
}

static void test_spilled(void **state) {
    check_all(true);
}

/* What one writer has written comes back in its order, and more of it after the next flush. */
static void check_order(bool force_spill) {
    Fixture fixture;
    RowBufferWriter *writer;
    Error err;
    fixture_open(&fixture, force_spill);
    assert_int_equal(row_buffer_writer_new(fixture.rows, &writer, &err), TRIB_OK);
    for (int64_t b = 0; b < 6; b++) {
        Arena *arena = arena_new(NULL);
        Batch batch;
        batch_fill(&batch, arena, fixture.types, b * BATCH_ROWS);
        assert_int_equal(row_buffer_write(writer, &batch, &err), TRIB_OK);
        assert_int_equal(row_buffer_writer_flush(writer, &err), TRIB_OK);
        arena_free(arena);
        Reading reading = {.fixture = &fixture, .ordered = true};
        read_rows_of(&reading);
        assert_int_equal(reading.status, TRIB_OK);
        assert_int_equal(reading.wrong, 0);
        assert_int_equal(reading.rows, (uint64_t)(b + 1) * BATCH_ROWS);
    }
    fixture_close(&fixture);
}

static void test_order(void **state) {
    check_order(false);
    check_order(true);
}

static void test_empty(void **state) {
    Fixture fixture;
    fixture_open(&fixture, false);
    Reading reading = {.fixture = &fixture};
    read_rows_of(&reading);
    assert_int_equal(reading.status, TRIB_OK);
    assert_int_equal(reading.rows, 0);
    fixture_close(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_spilled),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
