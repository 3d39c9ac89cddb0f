/*
 * test_memory.c - the store of tables in memory: transactions against a model, constraints, statements that
 * fail half-way, changed tables, dead rows, threads.
 *
 * The model is the definition of snapshot isolation over numbered keys: a transaction sees a copy of
 * what was committed when it began and its own writes; who writes what another one has written since
 * fails with 40001.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/os.h"
#include "tests/connectors/memory_support.h"

/* One row by its key, found by it and by reading all; false: the transaction does not see it. */
static bool row_find(MemoryFixture *f, TribTx *tx, const char *name, int64_t id, MemoryRow *out) {
    Arena *arena = arena_new(NULL);
    uint32_t count, found = 0;
    MemoryRow *rows = memory_find(f, tx, name, &id, arena, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].id != id) continue;
        *out = rows[i];
        out->note = NULL;
        found++;
    }
    assert_true(found <= 1);
    if (tx) { /* its snapshot stands still */
        rows = memory_scan(f, tx, name, arena, &count);
        uint32_t same = 0;
        for (uint32_t i = 0; i < count; i++)
            same += rows[i].id == id && found && rows[i].row_id == out->row_id;
        for (uint32_t i = 0; i < count && !found; i++) assert_true(rows[i].id != id);
        assert_int_equal(same, found);
    }
    arena_free(arena);
    return found;
}

static uint32_t row_count(MemoryFixture *f, TribTx *tx, const char *name, int64_t *sum) {
    Arena *arena = arena_new(NULL);
    uint32_t count;
    MemoryRow *rows = memory_scan(f, tx, name, arena, &count);
    *sum = 0;
    for (uint32_t i = 0; i < count; i++) *sum += rows[i].value;
    arena_free(arena);
    return count;
}

static void expect_rows(MemoryFixture *f, TribTx *tx, uint32_t count, int64_t sum) {
    int64_t have;
    assert_int_equal(row_count(f, tx, "t", &have), count);
    assert_int_equal(have, sum);
}

/* ---------------------------------------------------------------- visibility and rollback */

static void test_snapshots(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow rows[] = {{1, 10, "one", 0}, {2, 20, NULL, 0}, {3, 30, "a note of some length", 0}};
    memory_open(&f, "snapshots");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 2, &err), TRIB_OK);
    TribTx *reader = memory_begin(&f), *writer = memory_begin(&f);
    assert_int_equal(memory_insert(&f, writer, "t", rows + 2, 1, &err), TRIB_OK);
    MemoryRow row;
    assert_true(row_find(&f, writer, "t", 1, &row));
    row.value = 11;
    assert_int_equal(memory_update(&f, writer, "t", &row, 1, &err), TRIB_OK);
    assert_true(row_find(&f, writer, "t", 2, &row));
    assert_int_equal(memory_delete(&f, writer, "t", &row, 1, &err), TRIB_OK);
    expect_rows(&f, writer, 2, 41);
    expect_rows(&f, reader, 2, 30);
    expect_rows(&f, NULL, 2, 30);
    memory_end(&f, writer, true);
    expect_rows(&f, NULL, 2, 41);
    expect_rows(&f, reader, 2, 30); /* its snapshot */
    memory_end(&f, reader, true);
    writer = memory_begin(&f);
    rows[0].id = 4;
    assert_int_equal(memory_insert(&f, writer, "t", rows, 1, &err), TRIB_OK);
    assert_true(row_find(&f, writer, "t", 3, &row));
    assert_int_equal(memory_delete(&f, writer, "t", &row, 1, &err), TRIB_OK);
    expect_rows(&f, writer, 2, 21);
    memory_end(&f, writer, false);
    expect_rows(&f, NULL, 2, 41);
    memory_close(&f);
}

/* Catalogs of one name are one store, whoever opens them; others are others. */
static void test_names(void **state) {
    MemoryFixture f, same, other;
    TribError err;
    memory_open(&f, "named");
    memory_open(&same, "named");
    memory_open(&other, "named otherwise");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    expect_rows(&same, NULL, 0, 0);
    assert_int_equal(memory_create(&same, NULL, "t", true, &err), TRIB_EXISTS);
    assert_non_null(strstr(err.message, "named.default.t"));
    assert_int_equal(memory_create(&other, NULL, "t", true, &err), TRIB_OK);
    memory_close(&f);
    memory_close(&same);
    memory_close(&other);
}

/* ---------------------------------------------------------------- constraints */

static void expect_error(TribStatus status, const TribError *err, TribStatus want,
                         const char *sqlstate, const char *text) {
    assert_int_equal(status, want);
    assert_string_equal(err->sqlstate, sqlstate);
    if (!strstr(err->message, text)) fail_msg("no \"%s\" in: %s", text, err->message);
}

static void test_keys(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow row, rows[] = {{1, 10, "one", 0}, {2, 20, NULL, 0}, {1, 5, NULL, 0}};
    memory_open(&f, "keys");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    TribStatus status = memory_insert(&f, NULL, "t", rows, 3, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000",
                 "(1) exists already: PRIMARY KEY t_key (id)");
    assert_int_equal(err.row, 2);
    expect_rows(&f, NULL, 0, 0); /* the statement is undone */
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 2, &err), TRIB_OK);
    status = memory_insert(&f, NULL, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "default.t");
    /* In a transaction: delete and insert again; others may not meanwhile. */
    TribTx *tx = memory_begin(&f), *other = memory_begin(&f);
    assert_true(row_find(&f, tx, "t", 1, &row));
    assert_int_equal(memory_delete(&f, tx, "t", &row, 1, &err), TRIB_OK);
    status = memory_insert(&f, other, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "(1)");
    assert_int_equal(memory_insert(&f, tx, "t", rows + 2, 1, &err), TRIB_OK);
    status = memory_insert(&f, tx, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(1)");
    expect_rows(&f, tx, 2, 25);
    memory_end(&f, tx, false);
    memory_end(&f, other, false);
    expect_rows(&f, NULL, 2, 30);
    status = memory_insert(&f, NULL, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(1)");
    memory_close(&f);
}

static void test_conflicts(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow row, mine, rows[] = {{1, 10, "one", 0}, {2, 20, NULL, 0}};
    memory_open(&f, "conflicts");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 2, &err), TRIB_OK);
    TribTx *first = memory_begin(&f), *second = memory_begin(&f);
    assert_true(row_find(&f, first, "t", 1, &row));
    assert_true(row_find(&f, second, "t", 1, &mine));
    row.value = 100;
    assert_int_equal(memory_update(&f, first, "t", &row, 1, &err), TRIB_OK);
    /* The first updater wins, before and after its commit. */
    TribStatus status = memory_delete(&f, second, "t", &mine, 1, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "default.t");
    memory_end(&f, first, true);
    status = memory_update(&f, second, "t", &mine, 1, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "default.t");
    expect_rows(&f, second, 2, 30); /* the transaction goes on with its snapshot */
    assert_true(row_find(&f, second, "t", 2, &mine));
    assert_int_equal(memory_delete(&f, second, "t", &mine, 1, &err), TRIB_OK);
    memory_end(&f, second, true);
    expect_rows(&f, NULL, 1, 100);
    /* A row twice in one statement. */
    assert_true(row_find(&f, NULL, "t", 1, &row));
    MemoryRow twice[] = {row, row};
    status = memory_delete(&f, NULL, "t", twice, 2, &err);
    expect_error(status, &err, TRIB_DATA, "21000", "more than once");
    expect_rows(&f, NULL, 1, 100);
    memory_close(&f);
}

/* UPDATE t SET id = id + 1: keys are checked at the statement's end. */
static void test_deferred_keys(void **state) {
    enum { ROWS = 5000 };
    MemoryFixture f;
    TribError err;
    memory_open(&f, "deferred");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    MemoryRow *rows = calloc(ROWS, sizeof *rows);
    for (int64_t i = 0; i < ROWS; i++) rows[i] = (MemoryRow){i, 1, NULL, 0};
    assert_int_equal(memory_insert(&f, NULL, "t", rows, ROWS, &err), TRIB_OK);
    Arena *arena = arena_new(NULL);
    uint32_t count;
    int64_t wanted = 77; /* the key finds its row alone */
    assert_int_equal(memory_find(&f, NULL, "t", &wanted, arena, &count)->id, 77);
    assert_int_equal(count, 1);
    MemoryRow *seen = memory_scan(&f, NULL, "t", arena, &count);
    assert_int_equal(count, ROWS);
    TribTx *tx = memory_begin(&f);
    assert_int_equal(memory_delete(&f, tx, "t", seen, count, &err), TRIB_OK);
    for (uint32_t i = 0; i < count; i++) seen[i].id++;
    assert_int_equal(memory_insert(&f, tx, "t", seen, count, &err), TRIB_OK);
    expect_rows(&f, tx, ROWS, ROWS);
    memory_end(&f, tx, true);
    expect_rows(&f, NULL, ROWS, ROWS);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 1, &err), TRIB_OK); /* 0 is free */
    TribStatus status = memory_insert(&f, NULL, "t", rows + 1, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(1)");
    arena_free(arena);
    free(rows);
    memory_close(&f);
}

/* A key that is written so often that an old snapshot's row of it is not found by the key any more. */
static void test_lost_keys(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow row, rows[] = {{1, 10, NULL, 0}, {2, 20, NULL, 0}};
    memory_open(&f, "lost");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    TribTx *oldest = memory_begin(&f); /* nothing is swept away */
    for (int i = 0; i < 40; i++) {
        assert_int_equal(memory_insert(&f, NULL, "t", rows, 1, &err), TRIB_OK);
        assert_true(row_find(&f, NULL, "t", 1, &row));
        if (i < 39) assert_int_equal(memory_delete(&f, NULL, "t", &row, 1, &err), TRIB_OK);
    }
    TribTx *old = memory_begin(&f);
    assert_true(row_find(&f, old, "t", 1, &row));
    assert_int_equal(memory_delete(&f, NULL, "t", &row, 1, &err), TRIB_OK);
    TribTx *undone = memory_begin(&f);
    assert_int_equal(memory_insert(&f, undone, "t", rows, 1, &err), TRIB_OK);
    memory_end(&f, undone, false);
    assert_true(row_find(&f, old, "t", 1, &row));
    TribStatus status = memory_insert(&f, old, "t", rows, 2, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "(1)");
    expect_rows(&f, old, 1, 10);
    assert_int_equal(memory_insert(&f, old, "t", rows + 1, 1, &err), TRIB_OK);
    expect_rows(&f, old, 2, 30);
    memory_end(&f, old, true);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 1, &err), TRIB_OK);
    expect_rows(&f, NULL, 2, 30);
    memory_end(&f, oldest, true);
    memory_close(&f);
}

/* ---------------------------------------------------------------- against a model */

enum { KEYS = 24, SESSIONS = 3 };

typedef struct ModelKey {
    bool there;
    int64_t value;
    uint64_t changed; /* the commit that changed it last */
} ModelKey;

typedef struct ModelTx {
    TribTx *tx; /* NULL: none open */
    uint64_t began;
    ModelKey view[KEYS];
    bool wrote[KEYS];
} ModelTx;

typedef struct Model {
    MemoryFixture f;
    uint64_t commits;
    ModelKey committed[KEYS];
    ModelTx sessions[SESSIONS];
} Model;

static bool others_wrote(const Model *m, const ModelTx *self, uint32_t key) {
    for (uint32_t i = 0; i < SESSIONS; i++) {
        if (&m->sessions[i] != self && m->sessions[i].tx && m->sessions[i].wrote[key]) return true;
    }
    return false;
}

static const char *model_write_state(const Model *m, const ModelTx *self, uint32_t key) {
    if (others_wrote(m, self, key)) return "40001";
    return m->committed[key].changed > self->began && !self->wrote[key] ? "40001" : "00000";
}

/*
 * What an INSERT of the key must say: what was committed counts, whatever the snapshot. A key that is there and
 * was changed since the snapshot is both a duplicate and a conflict.
 */
static const char *model_insert_state(const Model *m, const ModelTx *self, uint32_t key) {
    if (self->wrote[key]) return self->view[key].there ? "23000" : "00000";
    if (others_wrote(m, self, key)) {
        /* Another one deleted it, or inserted it; who only inserts where nothing is clashes, too. */
        return "40001";
    }
    if (m->committed[key].changed > self->began)
        return m->committed[key].there ? "23000 or 40001" : "40001";
    return m->committed[key].there ? "23000" : "00000";
}

static void model_begin(Model *m, ModelTx *self) {
    self->tx = memory_begin(&m->f);
    self->began = m->commits;
    memcpy(self->view, m->committed, sizeof self->view);
    memset(self->wrote, 0, sizeof self->wrote);
}

static void model_end(Model *m, ModelTx *self, bool commit) {
    memory_end(&m->f, self->tx, commit);
    self->tx = NULL;
    if (!commit) return;
    m->commits++;
    for (uint32_t k = 0; k < KEYS; k++) {
        if (!self->wrote[k]) continue;
        m->committed[k] = self->view[k];
        m->committed[k].changed = m->commits;
    }
}

static void model_compare(Model *m, const ModelTx *self) {
    Arena *arena = arena_new(NULL);
    uint32_t count, there = 0;
    MemoryRow *rows = memory_scan(&m->f, self ? self->tx : NULL, "t", arena, &count);
    const ModelKey *view = self ? self->view : m->committed;
    for (uint32_t k = 0; k < KEYS; k++) there += view[k].there;
    assert_int_equal(count, there);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(rows[i].id >= 0 && rows[i].id < KEYS && view[rows[i].id].there);
        assert_int_equal(rows[i].value, view[rows[i].id].value);
    }
    arena_free(arena);
}

static void model_insert(Model *m, ModelTx *self, uint32_t key, int64_t value) {
    TribError err;
    MemoryRow row = {key, value, value % 3 ? "some text of the row" : NULL, 0};
    const char *want = model_insert_state(m, self, key);
    TribStatus status = memory_insert(&m->f, self->tx, "t", &row, 1, &err);
    const char *have = status == TRIB_OK ? "00000" : err.sqlstate;
    if (!strstr(want, have)) fail_msg("%s instead of %s", have, want);
    if (status != TRIB_OK) return;
    self->view[key] = (ModelKey){true, value, 0};
    self->wrote[key] = true;
}

/* UPDATE or DELETE of one or two keys in a statement: all or nothing. */
static void model_change(Model *m, ModelTx *self, uint32_t first, uint32_t second, bool update,
                         int64_t value) {
    TribError err;
    MemoryRow rows[2];
    uint32_t keys[2] = {first, second}, count = 0;
    const char *want = "00000";
    for (uint32_t i = 0; i < (first == second ? 1u : 2u); i++) {
        if (!self->view[keys[i]].there) continue;
        assert_true(row_find(&m->f, self->tx, "t", keys[i], &rows[count]));
        rows[count].value = value + i;
        if (strcmp(want, "00000") == 0) want = model_write_state(m, self, keys[i]);
        keys[count++] = keys[i];
    }
    if (count == 0) return;
    TribStatus status = update ? memory_update(&m->f, self->tx, "t", rows, count, &err)
                               : memory_delete(&m->f, self->tx, "t", rows, count, &err);
    assert_string_equal(status == TRIB_OK ? "00000" : err.sqlstate, want);
    for (uint32_t i = 0; status == TRIB_OK && i < count; i++) {
        self->view[keys[i]] = (ModelKey){update, rows[i].value, 0};
        self->wrote[keys[i]] = true;
    }
}

static void test_model(void **state) {
    enum { STEPS = 6000 };
    Model *m = calloc(1, sizeof *m);
    TribError err;
    uint64_t random = 20260711;
    memory_open(&m->f, "model");
    assert_int_equal(memory_create(&m->f, NULL, "t", true, &err), TRIB_OK);
    for (uint32_t step = 0; step < STEPS; step++) {
        ModelTx *tx = &m->sessions[random_next(&random) % SESSIONS];
        uint32_t key = (uint32_t)(random_next(&random) % KEYS);
        uint32_t other = (uint32_t)(random_next(&random) % KEYS);
        if (!tx->tx) model_begin(m, tx);
        switch (random_next(&random) % 12) {
        case 0:
        case 1: model_end(m, tx, true); break;
        case 2: model_end(m, tx, false); break;
        case 3:
        case 4:
        case 5: model_insert(m, tx, key, step); break;
        case 6:
        case 7: model_change(m, tx, key, other, false, 0); break;
        case 8: model_compare(m, tx); break;
        case 9: model_compare(m, NULL); break;
        default: model_change(m, tx, key, other, true, step); break;
        }
    }
    for (uint32_t i = 0; i < SESSIONS; i++) {
        if (m->sessions[i].tx) model_end(m, &m->sessions[i], i % 2);
    }
    model_compare(m, NULL);
    assert_int_equal(
        memory_alter(&m->f, NULL, (TribDdl){.kind = TRIB_DDL_DROP_TABLE, .name = "t"}, &err),
        TRIB_OK);
    memory_close(&m->f);
    assert_int_equal(atomic_load(&m->f.host.blocks), 0); /* nothing is kept for nobody */
    free(m);
}

/* ---------------------------------------------------------------- marks */

static void test_marks(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow row, rows[] = {{1, 10, NULL, 0}, {2, 20, NULL, 0}, {3, 30, NULL, 0}};
    memory_open(&f, "marks");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    TribTx *tx = memory_begin(&f);
    const TribConnector *c = f.connector;
    for (int kept = 0; kept < 2; kept++) {
        assert_int_equal(c->tx_mark(tx, &f.call.call, TRIB_MARK_SET, &err), TRIB_OK);
        assert_int_equal(memory_insert(&f, tx, "t", rows, 2, &err), TRIB_OK);
        TribMark mark = kept ? TRIB_MARK_KEEP : TRIB_MARK_GO_BACK;
        assert_int_equal(c->tx_mark(tx, &f.call.call, mark, &err), TRIB_OK);
        expect_rows(&f, tx, kept ? 2 : 0, kept ? 30 : 0);
    }
    assert_int_equal(c->tx_mark(tx, &f.call.call, TRIB_MARK_SET, &err), TRIB_OK);
    assert_true(row_find(&f, tx, "t", 1, &row));
    assert_int_equal(memory_delete(&f, tx, "t", &row, 1, &err), TRIB_OK);
    row.id = 1;
    assert_int_equal(memory_insert(&f, tx, "t", &row, 1, &err), TRIB_OK);
    assert_int_equal(memory_insert(&f, tx, "t", rows + 2, 1, &err), TRIB_OK);
    assert_int_equal(
        memory_alter(&f, tx, (TribDdl){.kind = TRIB_DDL_RENAME_TABLE, .name = "t", .new_name = "u"},
                     &err),
        TRIB_OK);
    assert_int_equal(c->tx_mark(tx, &f.call.call, TRIB_MARK_GO_BACK, &err), TRIB_OK);
    expect_rows(&f, tx, 2, 30);
    TribStatus status = memory_insert(&f, tx, "t", rows, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(1)");
    assert_int_equal(memory_insert(&f, tx, "t", rows + 2, 1, &err), TRIB_OK);
    memory_end(&f, tx, true);
    expect_rows(&f, NULL, 3, 60);
    memory_close(&f);
}

/* ---------------------------------------------------------------- failing memory */

static void delete_from(MemoryFixture *f, int64_t id) {
    TribError err;
    Arena *arena = arena_new(NULL);
    uint32_t count, kept = 0;
    MemoryRow *rows = memory_scan(f, NULL, "t", arena, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].id >= id) rows[kept++] = rows[i];
    }
    assert_int_equal(memory_delete(f, NULL, "t", rows, kept, &err), TRIB_OK);
    arena_free(arena);
}

static void test_failing_memory(void **state) {
    MemoryFixture f;
    TribError err;
    MemoryRow rows[300], again[2];
    memory_open(&f, "failing");
    for (int64_t i = 0; i < 300; i++)
        rows[i] = (MemoryRow){i, 1, i % 2 ? "a text that is longer than inlined" : NULL, 0};
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 100, &err), TRIB_OK);
    int64_t tries = 0;
    for (;; tries++) { /* an insertion that extends the tail, grows keys and runs */
        atomic_store(&f.host.fail_at, tries + 1);
        TribStatus status = memory_insert(&f, NULL, "t", rows + 100, 200, &err);
        bool failed = atomic_exchange(&f.host.fail_at, 0) <= 0;
        if (status == TRIB_OK && !failed) break;
        if (status == TRIB_OK) { /* it was but a sketch */
            delete_from(&f, 100);
            expect_rows(&f, NULL, 100, 100);
            continue;
        }
        expect_error(status, &err, TRIB_MEMORY, "HY001", "memory");
        expect_rows(&f, NULL, 100, 100);
    }
    assert_true(tries > 10);
    expect_rows(&f, NULL, 300, 300);
    assert_true(row_find(&f, NULL, "t", 7, &again[0]) && row_find(&f, NULL, "t", 8, &again[1]));
    again[0].value = again[1].value = 2;
    for (tries = 0;; tries++) {
        atomic_store(&f.host.fail_at, tries + 1);
        TribStatus status = memory_update(&f, NULL, "t", again, 2, &err);
        bool failed = atomic_exchange(&f.host.fail_at, 0) <= 0;
        if (status == TRIB_OK && !failed) break;
        if (status == TRIB_OK) {
            assert_true(row_find(&f, NULL, "t", 7, &again[0]));
            assert_true(row_find(&f, NULL, "t", 8, &again[1]));
            again[0].value = again[1].value = 1;
            assert_int_equal(memory_update(&f, NULL, "t", again, 2, &err), TRIB_OK);
            assert_true(row_find(&f, NULL, "t", 7, &again[0]));
            assert_true(row_find(&f, NULL, "t", 8, &again[1]));
            again[0].value = again[1].value = 2;
            continue;
        }
        expect_error(status, &err, TRIB_MEMORY, "HY001", "memory");
        expect_rows(&f, NULL, 300, 300);
    }
    assert_true(tries > 5);
    expect_rows(&f, NULL, 300, 302);
    memory_close(&f);
}

/* ---------------------------------------------------------------- dead rows */

static void test_sweeping(void **state) {
    enum { ROWS = 3000, ROUNDS = 40 };
    MemoryFixture f;
    TribError err;
    memory_open(&f, "sweeping");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    MemoryRow *rows = calloc(ROWS, sizeof *rows);
    for (int64_t i = 0; i < ROWS; i++)
        rows[i] = (MemoryRow){i, 0, "a text that is longer than what is inlined", 0};
    assert_int_equal(memory_insert(&f, NULL, "t", rows, ROWS, &err), TRIB_OK);
    TribTx *old = NULL;
    int64_t blocks = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        Arena *arena = arena_new(NULL);
        uint32_t count;
        MemoryRow *seen = memory_scan(&f, NULL, "t", arena, &count);
        assert_int_equal(count, ROWS);
        for (uint32_t i = 0; i < count; i++) seen[i].value = round;
        assert_int_equal(memory_update(&f, NULL, "t", seen, count, &err), TRIB_OK);
        if (round == 5) blocks = atomic_load(&f.host.blocks);
        if (round == 10) old = memory_begin(&f);
        if (round == 30) {
            expect_rows(&f, old, ROWS, ROWS * 10);
            memory_end(&f, old, true);
        }
        arena_free(arena);
    }
    expect_rows(&f, NULL, ROWS, ROWS * ROUNDS);
    /* What 40 rounds have left is no more than what five had. */
    assert_true(atomic_load(&f.host.blocks) < blocks * 2);
    TribStatus status = memory_insert(&f, NULL, "t", rows, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(0)");
    free(rows);
    memory_close(&f);
}

/* ---------------------------------------------------------------- changed tables */

static TribStatus rename_column(MemoryFixture *f, TribTx *tx, const char *from, const char *to,
                                TribError *err) {
    return memory_alter(
        f, tx,
        (TribDdl){.kind = TRIB_DDL_RENAME_COLUMN, .name = "t", .column = from, .new_name = to},
        err);
}

static void test_ddl(void **state) {
    MemoryFixture f;
    TribError err;
    Arena *arena = arena_new(NULL);
    MemoryRow rows[] = {{1, 10, "one", 0}, {2, 20, NULL, 0}, {3, 20, NULL, 0}};
    memory_open(&f, "changed");
    assert_int_equal(memory_create(&f, NULL, "t", true, &err), TRIB_OK);
    assert_int_equal(memory_insert(&f, NULL, "t", rows, 2, &err), TRIB_OK);
    /* A transaction that is rolled back leaves the table as it was. */
    TribTx *tx = memory_begin(&f), *old = memory_begin(&f);
    assert_int_equal(memory_insert(&f, tx, "t", rows + 2, 1, &err), TRIB_OK);
    assert_int_equal(rename_column(&f, tx, "value", "worth", &err), TRIB_OK);
    TribTable *table = memory_describe(&f, tx, "t", arena, &err);
    assert_non_null(table);
    assert_string_equal(table->columns[1].name, "worth");
    assert_string_equal(memory_describe(&f, NULL, "t", arena, &err)->columns[1].name, "value");
    expect_rows(&f, tx, 3, 50);
    expect_rows(&f, NULL, 2, 30);
    /* Nobody else may write to it meanwhile. */
    TribStatus status = memory_insert(&f, old, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "default.t");
    memory_end(&f, tx, false);
    expect_rows(&f, NULL, 2, 30);
    /* One that is committed is seen by those who begin afterwards. */
    tx = memory_begin(&f);
    assert_int_equal(memory_alter(&f, tx, (TribDdl){.kind = TRIB_DDL_TRUNCATE, .name = "t"}, &err),
                     TRIB_OK);
    assert_int_equal(memory_insert(&f, tx, "t", rows, 1, &err), TRIB_OK);
    memory_end(&f, tx, true);
    expect_rows(&f, NULL, 1, 10);
    expect_rows(&f, old, 2, 30);
    status = memory_insert(&f, old, "t", rows + 2, 1, &err);
    expect_error(status, &err, TRIB_STATE, "40001", "default.t");
    memory_end(&f, old, true);
    /* A unique index over what is there, and over what comes. */
    TribIndexColumn value = {.column = 1};
    TribIndex index = {.name = "by_value", .unique = true, .ncolumns = 1, .columns = &value};
    TribDdl create = {.kind = TRIB_DDL_CREATE_INDEX, .name = "t", .index = &index};
    assert_int_equal(memory_insert(&f, NULL, "t", rows + 1, 2, &err), TRIB_OK);
    status = memory_alter(&f, NULL, create, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(20)");
    index.name = "by_both";
    TribIndexColumn both[] = {{.column = 1}, {.column = 0}};
    index.columns = both;
    index.ncolumns = 2;
    assert_int_equal(memory_alter(&f, NULL, create, &err), TRIB_OK);
    status = memory_insert(&f, NULL, "t", rows + 1, 1, &err);
    expect_error(status, &err, TRIB_CONSTRAINT, "23000", "(2)");
    TribDdl drop = {.kind = TRIB_DDL_DROP_INDEX, .index = &index};
    assert_int_equal(memory_alter(&f, NULL, drop, &err), TRIB_OK);
    status = memory_alter(&f, NULL, drop, &err);
    expect_error(status, &err, TRIB_NOT_FOUND, "42S12", "by_both");
    arena_free(arena);
    memory_close(&f);
}

/* ---------------------------------------------------------------- threads */

enum { ACCOUNTS = 64, BALANCE = 1000, WORKERS = 4, TRANSFERS = 300 };

typedef struct Bank {
    MemoryFixture f;
    _Atomic uint64_t done, refused;
    atomic_bool stop;
} Bank;

typedef struct Teller {
    Bank *bank;
    uint64_t random;
} Teller;

/* Moves money between two accounts, all or nothing. */
static bool transfer(Bank *bank, uint64_t *random) {
    TribError err;
    MemoryRow rows[2];
    int64_t from = (int64_t)(random_next(random) % ACCOUNTS);
    int64_t to = (from + 1 + (int64_t)(random_next(random) % (ACCOUNTS - 1))) % ACCOUNTS;
    TribTx *tx = memory_begin(&bank->f);
    bool there =
        row_find(&bank->f, tx, "t", from, &rows[0]) && row_find(&bank->f, tx, "t", to, &rows[1]);
    assert_true(there);
    int64_t amount = 1 + (int64_t)(random_next(random) % 50);
    rows[0].value -= amount;
    rows[1].value += amount;
    TribStatus status;
    if (random_next(random) % 4 == 0) { /* the hard way */
        rows[0].note = rows[1].note = "moved";
        status = memory_delete(&bank->f, tx, "t", rows, 2, &err);
        if (status == TRIB_OK) status = memory_insert(&bank->f, tx, "t", rows, 2, &err);
    } else {
        status = memory_update(&bank->f, tx, "t", rows, 2, &err);
    }
    if (status != TRIB_OK) assert_string_equal(err.sqlstate, "40001");
    bool commit = status == TRIB_OK && random_next(random) % 8 != 0;
    memory_end(&bank->f, tx, commit);
    return commit;
}

static void *teller_run(void *context) {
    Teller *self = context;
    for (int i = 0; i < TRANSFERS; i++) {
        if (transfer(self->bank, &self->random))
            atomic_fetch_add(&self->bank->done, 1);
        else
            atomic_fetch_add(&self->bank->refused, 1);
    }
    return NULL;
}

static void *auditor_run(void *context) {
    Bank *bank = context;
    while (!atomic_load(&bank->stop)) {
        int64_t sum;
        TribTx *tx = memory_begin(&bank->f);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(row_count(&bank->f, tx, "t", &sum), ACCOUNTS);
            assert_int_equal(sum, ACCOUNTS * BALANCE);
        }
        memory_end(&bank->f, tx, true);
        assert_int_equal(row_count(&bank->f, NULL, "t", &sum), ACCOUNTS);
        assert_int_equal(sum, ACCOUNTS * BALANCE);
    }
    return NULL;
}

/* A second table that threads append to, so that its last group is extended under readers. */
static void *appender_run(void *context) {
    Bank *bank = context;
    TribError err;
    for (int64_t i = 0; i < 400; i++) {
        MemoryRow rows[16];
        for (int64_t k = 0; k < 16; k++)
            rows[k] = (MemoryRow){i * 16 + k, 1, k % 3 ? "text behind the others" : NULL, 0};
        assert_int_equal(memory_insert(&bank->f, NULL, "log", rows, 16, &err), TRIB_OK);
    }
    return NULL;
}

static void *follower_run(void *context) {
    Bank *bank = context;
    uint32_t last = 0;
    while (!atomic_load(&bank->stop)) {
        int64_t sum;
        uint32_t count = row_count(&bank->f, NULL, "log", &sum);
        assert_true(count >= last && count % 16 == 0 && sum == count);
        last = count;
    }
    return NULL;
}

static void test_threads(void **state) {
    Bank *bank = calloc(1, sizeof *bank);
    TribError err;
    pthread_t threads[WORKERS + 4];
    Teller tellers[WORKERS];
    MemoryRow rows[ACCOUNTS];
    memory_open(&bank->f, "bank");
    assert_int_equal(memory_create(&bank->f, NULL, "t", true, &err), TRIB_OK);
    assert_int_equal(memory_create(&bank->f, NULL, "log", false, &err), TRIB_OK);
    for (int64_t i = 0; i < ACCOUNTS; i++) rows[i] = (MemoryRow){i, BALANCE, NULL, 0};
    assert_int_equal(memory_insert(&bank->f, NULL, "t", rows, ACCOUNTS, &err), TRIB_OK);
    for (uint64_t i = 0; i < WORKERS; i++) {
        tellers[i] = (Teller){bank, 77 + i};
        assert_int_equal(pthread_create(&threads[i], NULL, teller_run, &tellers[i]), 0);
    }
    void *(*const others[])(void *) = {appender_run, appender_run, auditor_run, follower_run};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[WORKERS + i], NULL, others[i], bank), 0);
    for (int i = 0; i < WORKERS + 2; i++) pthread_join(threads[i], NULL);
    atomic_store(&bank->stop, true);
    for (int i = WORKERS + 2; i < WORKERS + 4; i++) pthread_join(threads[i], NULL);
    int64_t sum;
    assert_int_equal(row_count(&bank->f, NULL, "t", &sum), ACCOUNTS);
    assert_int_equal(sum, ACCOUNTS * BALANCE);
    assert_int_equal(row_count(&bank->f, NULL, "log", &sum), 2 * 400 * 16);
    assert_true(atomic_load(&bank->done) > 0);
    memory_close(&bank->f);
    free(bank);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_snapshots),     cmocka_unit_test(test_names),
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_deferred_keys), cmocka_unit_test(test_model),
        cmocka_unit_test(test_marks),         cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_sweeping),      cmocka_unit_test(test_ddl),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_lost_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
