/*
 * test_source.c - sources and scans, over the memory connector and one that misbehaves on demand.
 */
#include "config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/os.h"
#include "engine/source/source.h"
#include "tests/unit/fake_connector.h"
#include "tests/unit/test_base.h"

#define FOLDERS STR("tests/unit/.libs:.libs")

static FakeCounters *counters;

/* ---------------------------------------------------------------- helpers */

static Source *open_fake(const char *name, uint32_t max_connections, uint32_t count,
                         const TribOption *options) {
    static _Atomic uint32_t serial;
    const TribConnector *connector;
    Error err;
    Source *source;
    char fingerprint[64];
    assert_int_equal(connector_load(STR("fake"), FOLDERS, &connector, &err), TRIB_OK);
    (void)text_format(fingerprint, sizeof fingerprint, "%s-%u", name, atomic_fetch_add(&serial, 1));
    SourceParams params = {.connector = connector,
                           .name = name,
                           .options = options,
                           .noptions = count,
                           .max_connections = max_connections,
                           .fingerprint = str_from(fingerprint)};
    assert_int_equal(source_open(&params, &source, &err), TRIB_OK);
    return source;
}

static TribColumn plan_columns[2] = {
    {.name = "id", .type = {.id = TRIB_TYPE_BIGINT}},
    {.name = "text", .type = {.id = TRIB_TYPE_VARCHAR}, .nullable = true}};
static const Type plan_types[2] = {{.id = TRIB_TYPE_BIGINT}, {.id = TRIB_TYPE_VARCHAR}};

static SourcePlan *make_plan(Source *source, const char *schema, const char *name) {
    TribTable table = {.size = sizeof table,
                       .schema = schema,
                       .name = name,
                       .ncolumns = 2,
                       .columns = plan_columns};
    const TribTable *tables[] = {&table};
    TribNode nodes[2] = {{.kind = TRIB_NODE_COLUMN, .type = plan_types[0], .ref = 0},
                         {.kind = TRIB_NODE_COLUMN, .type = plan_types[1], .ref = 1}};
    const uint32_t output[] = {0, 1};
    TribOffer offer = {.size = sizeof offer,
                       .nnodes = 2,
                       .nodes = nodes,
                       .ntables = 1,
                       .tables = tables,
                       .noutput = 2,
                       .output = output,
                       .limit = -1};
    SourceCall call = {.deadline_ns = INT64_MAX};
    SourcePlan *plan;
    Error err;
    assert_int_equal(source_plan(source, &call, &offer, &plan, &err), TRIB_OK);
    return plan;
}

static ScanStream *make_stream(SourcePlan *plan, CancelToken *token, ScanParams params) {
    ScanStream *stream;
    Error err;
    params.plan = plan;
    params.call.cancel = token;
    if (!params.call.deadline_ns) params.call.deadline_ns = INT64_MAX;
    params.ncolumns = 2;
    params.types = plan_types;
    if (!params.threads) params.threads = 2;
    if (!params.limit) params.limit = -1;
    assert_int_equal(scan_stream_new(&params, &stream, &err), TRIB_OK);
    return stream;
}

typedef struct Bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool set;
} Bell;

static void bell_ring(void *context) {
    Bell *self = context;
    pthread_mutex_lock(&self->lock);
    self->set = true;
    pthread_cond_signal(&self->rung);
    pthread_mutex_unlock(&self->lock);
}

/* false: nobody rang within a minute. */
static bool bell_wait(Bell *self) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    int fault = 0;
    pthread_mutex_lock(&self->lock);
    while (!self->set && fault == 0)
        fault = pthread_cond_timedwait(&self->rung, &self->lock, &until);
    bool rung = self->set;
    self->set = false;
    pthread_mutex_unlock(&self->lock);
    return rung;
}

typedef struct Drain {
    ScanStream *stream;
    uint64_t rows, sum, nulls;
    uint64_t most;  /* stop after so many; 0 = all */
    bool malformed; /* a text did not fit its id */
    Status status;
    Error err;
    bool stuck;
} Drain;

static void drain_batch(Drain *self, const Batch *batch) {
    for (uint32_t i = 0; i < batch->selected; i++) {
        uint32_t row = batch_row(batch, i);
        int64_t id = *(const int64_t *)vector_at(&batch->columns[0], row);
        self->rows++;
        self->sum += (uint64_t)id;
        if (vector_is_null(&batch->columns[1], row)) {
            self->nulls++;
            if (id % 7 != 3) self->malformed = true;
            continue;
        }
        char text[64];
        int length = text_format(text, sizeof text, id % 2 ? "r%lld" : "a somewhat longer row %lld",
                                 (long long)id);
        Str have = strview_str(vector_at(&batch->columns[1], row));
        if (!str_equal(have, (Str){text, (size_t)length})) self->malformed = true;
    }
}

static void *drain_run(void *context) {
    Drain *self = context;
    Arena *arena = arena_new(NULL), *scratch = arena_new(NULL);
    Bell bell = {.lock = PTHREAD_MUTEX_INITIALIZER, .rung = PTHREAD_COND_INITIALIZER};
    Waker waker = {bell_ring, &bell};
    ScanReader *reader;
    Batch batch;
    batch_init(&batch, scratch);
    self->status = scan_reader_new(self->stream, arena, &reader, &self->err);
    while (self->status == TRIB_OK && (self->most == 0 || self->rows < self->most)) {
        StreamStep step;
        self->status = scan_reader_next(reader, &waker, &batch, &step, &self->err);
        if (self->status != TRIB_OK || step == STREAM_END) break;
        if (step == STREAM_BATCH)
            drain_batch(self, &batch);
        else if (!bell_wait(&bell)) {
            self->stuck = true;
            break;
        }
    }
    batch_clear(&batch);
    scan_reader_free(reader);
    arena_free(scratch);
    arena_free(arena);
    return NULL;
}

static Drain drain(ScanStream *stream) {
    Drain self = {.stream = stream};
    drain_run(&self);
    assert_false(self.stuck);
    return self;
}

static uint64_t sum_of(uint64_t splits, uint64_t rows) {
    uint64_t sum = 0;
    for (uint64_t s = 0; s < splits; s++) sum += s * 1000000 * rows + rows * (rows - 1) / 2;
    return sum;
}

#define OPTION(text, of) ((TribOption){.name = (text), .value = (of)})
#define ENDLESS          OPTION("splits", "1000"), OPTION("rows", "1000000")

/* Threads that were let go end by themselves, whenever they get the processor. */
static void scans_become(int32_t open) {
    for (int i = 0; i < 6000 && counters->open_scans != open; i++) usleep(10000);
    assert_int_equal(counters->open_scans, open);
}

/* ---------------------------------------------------------------- loading */

static void test_load(void **state) {
    (void)state;
    const TribConnector *connector, *again;
    Error err;
    assert_int_equal(connector_load(STR("memory"), FOLDERS, &connector, &err), TRIB_OK);
    assert_int_equal(connector_load(STR("memory"), FOLDERS, &again, &err), TRIB_OK);
    assert_ptr_equal(connector, again);
    assert_int_equal(connector_load(STR("memry"), FOLDERS, &connector, &err), TRIB_INVALID);
    assert_non_null(strstr(err.message, "\"memry\""));
    assert_non_null(strstr(err.hint, "did you mean \"memory\""));
    assert_non_null(strstr(err.hint, "fake"));
    assert_int_equal(connector_load(STR("../../etc/passwd"), FOLDERS, &connector, &err),
                     TRIB_INVALID);
    assert_int_equal(connector_load(STR(""), FOLDERS, &connector, &err), TRIB_INVALID);
    Arena *arena = arena_new(NULL);
    uint32_t count;
    const char **types;
    assert_int_equal(connector_list(arena, FOLDERS, &count, &types, &err), TRIB_OK);
    assert_true(count >= 2);
    for (uint32_t i = 1; i < count; i++) assert_true(strcmp(types[i - 1], types[i]) < 0);
    arena_free(arena);
}

static void test_sharing(void **state) {
    (void)state;
    const TribConnector *connector;
    Error err;
    Source *a, *b, *c;
    assert_int_equal(connector_load(STR("fake"), FOLDERS, &connector, &err), TRIB_OK);
    SourceParams params = {.connector = connector, .name = "x", .fingerprint = STR("same")};
    int32_t opened = counters->opened, closed = counters->closed;
    assert_int_equal(source_open(&params, &a, &err), TRIB_OK);
    assert_int_equal(source_open(&params, &b, &err), TRIB_OK);
    params.fingerprint = STR("other");
    assert_int_equal(source_open(&params, &c, &err), TRIB_OK);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(counters->opened - opened, 2);
    source_release(a);
    assert_int_equal(counters->closed - closed, 0);
    source_release(b);
    source_release(c);
    assert_int_equal(counters->closed - closed, 2);
    TribOption wrong = OPTION("rows", "many");
    params.options = &wrong;
    params.noptions = 1;
    assert_int_equal(source_open(&params, &a, &err), TRIB_INVALID);
    assert_string_equal(err.source, "x");
}

/* ---------------------------------------------------------------- scans */

static void scan_all(uint32_t max_connections, const char *splits, const char *rows,
                     uint32_t readers) {
    TribOption options[] = {OPTION("splits", splits), OPTION("rows", rows)};
    Source *source = open_fake("scan", max_connections, 2, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){.threads = readers});
    scan_stream_start(stream);
    Drain drains[8] = {0};
    pthread_t threads[8];
    for (uint32_t i = 0; i < readers; i++) {
        drains[i].stream = stream;
        pthread_create(&threads[i], NULL, drain_run, &drains[i]);
    }
    uint64_t total = 0, sum = 0;
    for (uint32_t i = 0; i < readers; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(drains[i].status, TRIB_OK);
        assert_false(drains[i].stuck || drains[i].malformed);
        total += drains[i].rows;
        sum += drains[i].sum;
    }
    uint64_t s = strtoull(splits, NULL, 10), r = strtoull(rows, NULL, 10);
    assert_int_equal(total, s * r);
    assert_int_equal(sum, sum_of(s, r));
    ScanCounters seen;
    scan_stream_counters(stream, &seen);
    assert_int_equal(seen.rows, s * r);
    assert_int_equal(seen.splits, s);
    assert_true(seen.connections <= max_connections);
    scan_stream_free(stream, INT64_C(1000000000));
    source_plan_release(plan);
    source_release(source);
    scans_become(0);
}

static void test_scan(void **state) {
    (void)state;
    scan_all(1, "1", "0", 1);
    scan_all(1, "0", "5", 1);
    scan_all(1, "1", "5", 1);
    scan_all(1, "1", "100000", 1);
    scan_all(1, "5", "3000", 3);
    scan_all(4, "9", "20000", 2);
    scan_all(4, "100", "10", 4);
    counters->most_scans = 0;
    scan_all(3, "30", "5000", 4);
    assert_true(counters->most_scans <= 3);
}

static void test_limit(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "1000000")};
    Source *source = open_fake("limit", 2, 1, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    int32_t batches = counters->batches;
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){.limit = 3000});
    Drain all = drain(stream);
    assert_int_equal(all.status, TRIB_OK);
    assert_true(all.rows >= 3000 && all.rows < 20000);
    assert_true(counters->batches - batches < 20);
    scan_stream_free(stream, INT64_C(1000000000));
    /* A reader that has had enough: nothing keeps reading behind its back. */
    stream = make_stream(plan, NULL, (ScanParams){0});
    Drain some = {.stream = stream, .most = 100};
    drain_run(&some);
    scan_stream_stop(stream);
    scan_stream_free(stream, INT64_C(2000000000));
    scans_become(0);
    source_plan_release(plan);
    source_release(source);
}

static Drain scan_once(uint32_t count, const TribOption *options, ScanCounters *seen) {
    Source *source = open_fake("faulty", 2, count, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){0});
    Drain all = drain(stream);
    scan_stream_counters(stream, seen);
    scan_stream_free(stream, INT64_C(2000000000));
    source_plan_release(plan);
    source_release(source);
    scans_become(0);
    return all;
}

static void test_retry(void **state) {
    (void)state;
    ScanCounters seen;
    /* Before the first row: tried again, nothing is lost or doubled. */
    Drain all = scan_once(
        3,
        (TribOption[]){OPTION("rows", "5000"), OPTION("fail_row", "0"), OPTION("fail_times", "2")},
        &seen);
    assert_int_equal(all.status, TRIB_OK);
    assert_int_equal(all.rows, 5000);
    assert_int_equal(all.sum, sum_of(1, 5000));
    assert_int_equal(seen.retries, 2);
    /* Three attempts, not more. */
    all = scan_once(
        3,
        (TribOption[]){OPTION("rows", "5000"), OPTION("fail_row", "0"), OPTION("fail_times", "3")},
        &seen);
    assert_int_equal(all.status, TRIB_LOST);
    assert_string_equal(all.err.sqlstate, "08S01");
    assert_string_equal(all.err.source, "faulty");
    /* After rows were handed on: an error, never fewer rows. */
    all = scan_once(2, (TribOption[]){OPTION("rows", "5000"), OPTION("fail_row", "3000")}, &seen);
    assert_int_equal(all.status, TRIB_LOST);
    /* What cannot be mended is not tried again. */
    all = scan_once(
        3, (TribOption[]){OPTION("rows", "50"), OPTION("fail_row", "0"), OPTION("fail", "data")},
        &seen);
    assert_int_equal(all.status, TRIB_DATA);
    assert_int_equal(seen.retries, 0);
    /* A connector that says nothing: there is a message all the same. */
    all = scan_once(
        3, (TribOption[]){OPTION("rows", "50"), OPTION("fail_row", "0"), OPTION("fail", "silent")},
        &seen);
    assert_int_equal(all.status, TRIB_LOST);
    assert_true(all.err.message[0] != '\0');
    assert_int_equal(strlen(all.err.sqlstate), 5);
    /* Throttled: slower, but right. */
    all = scan_once(4,
                    (TribOption[]){OPTION("rows", "500"), OPTION("splits", "3"),
                                   OPTION("fail_row", "0"), OPTION("fail", "throttled")},
                    &seen);
    assert_int_equal(all.status, TRIB_OK);
    assert_int_equal(all.rows, 1500);
}

static void test_lies(void **state) {
    (void)state;
    static const char *const lies[] = {"length", "columns", "offsets", "utf8"};
    ScanCounters seen;
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        Drain all =
            scan_once(2, (TribOption[]){OPTION("rows", "100"), OPTION("lie", lies[i])}, &seen);
        assert_int_not_equal(all.status, TRIB_OK);
        assert_string_equal(all.err.source, "faulty");
    }
}

/* ---------------------------------------------------------------- cancelling */

typedef struct Later {
    CancelToken *token;
    int64_t after_ns;
} Later;

static void *cancel_later(void *context) {
    Later *self = context;
    usleep((useconds_t)(self->after_ns / 1000));
    cancel_set(self->token, CANCEL_REQUESTED);
    return NULL;
}

/* Without the cancellation none of these would come to an end: that they do is what is tested. */
static void cancel_scan(const char *hang, const char *delay) {
    TribOption options[] = {ENDLESS, OPTION("hang", hang), OPTION("delay_us", delay)};
    bool deaf = strcmp(hang, "deaf") == 0;
    Source *source = open_fake("cancel", 1, COUNT_OF(options), options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    CancelToken *token = cancel_new();
    ScanStream *stream = make_stream(plan, token, (ScanParams){0});
    Later later = {token, 50000000};
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_later, &later);
    Drain all = drain(stream);
    assert_int_equal(all.status, TRIB_CANCELLED);
    assert_string_equal(all.err.sqlstate, "HY008");
    pthread_join(thread, NULL);
    scan_stream_free(stream, deaf ? 200000000 : INT64_C(2000000000));
    scans_become(deaf); /* its thread was let go */
    counters->hear = true;
    scans_become(0);
    counters->hear = false;
    cancel_release(token);
    source_plan_release(plan);
    source_release(source);
}

static void test_cancel(void **state) {
    (void)state;
    cancel_scan("none", "1000");
    cancel_scan("cancel", "0");
    cancel_scan("deaf", "0");
}

static void test_deadline(void **state) {
    (void)state;
    TribOption options[] = {ENDLESS, OPTION("delay_us", "20000")};
    Source *source = open_fake("late", 2, COUNT_OF(options), options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    CancelToken *token = cancel_new();
    ScanParams params = {.call = {.deadline_ns = os_now_ns() + 200000000}};
    ScanStream *stream = make_stream(plan, token, params);
    Drain all = drain(stream);
    /* Never the end of the rows: the time is up. */
    assert_int_not_equal(all.status, TRIB_OK);
    scan_stream_free(stream, 1000000000);
    cancel_release(token);
    source_plan_release(plan);
    source_release(source);
}

/* Random moments of cancelling and stopping, from another thread. */
static void test_cancel_anytime(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "30000"), OPTION("splits", "6")};
    Source *source = open_fake("anytime", 3, 2, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    uint64_t seed = 42;
    for (int i = 0; i < 150; i++) {
        CancelToken *token = cancel_new();
        ScanStream *stream = make_stream(plan, token, (ScanParams){0});
        Later later = {token, (int64_t)(test_random(&seed) % 12000000)};
        pthread_t thread;
        if (i % 3) scan_stream_start(stream);
        pthread_create(&thread, NULL, cancel_later, &later);
        Drain all = drain(stream);
        if (all.status == TRIB_OK)
            assert_int_equal(all.rows, 180000);
        else
            assert_int_equal(all.status, TRIB_CANCELLED);
        scan_stream_free(stream, INT64_C(2000000000));
        pthread_join(thread, NULL);
        cancel_release(token);
    }
    scans_become(0);
    source_plan_release(plan);
    source_release(source);
}

/* ---------------------------------------------------------------- permits */

static void test_one_connection(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "20000")};
    Source *source = open_fake("one", 1, 1, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    /* Both are started ahead; the second is read first: the first gives its connection back and
     * begins again later, without a row lost or doubled. */
    ScanStream *first = make_stream(plan, NULL, (ScanParams){0}),
               *second = make_stream(plan, NULL, (ScanParams){0});
    scan_stream_start(first);
    scans_become(1);
    scan_stream_start(second);
    Drain b = drain(second), a = drain(first);
    assert_int_equal(b.status, TRIB_OK);
    assert_int_equal(a.status, TRIB_OK);
    assert_int_equal(a.rows, 20000);
    assert_int_equal(b.rows, 20000);
    assert_int_equal(a.sum, sum_of(1, 20000));
    scan_stream_free(first, INT64_C(1000000000));
    scan_stream_free(second, INT64_C(1000000000));
    source_plan_release(plan);
    source_release(source);
}

static _Atomic int exhausted_calls;

static void on_exhausted(void *owner, const Source *source) {
    assert_non_null(owner);
    assert_string_equal(source_name(source), "exhausted");
    exhausted_calls++;
}

static void test_exhausted(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "1000000")};
    Source *source = open_fake("exhausted", 1, 1, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    int owner = 0;
    source_set_exhausted_hook(on_exhausted);
    ScanStream *idle = make_stream(plan, NULL, (ScanParams){.call.owner = &owner});
    Drain some = {.stream = idle, .most = 10};
    drain_run(&some); /* an open cursor that nobody reads any more */
    /* Where the time is up before a thread came to ask, once more. */
    for (int i = 0; i < 50 && exhausted_calls == 0; i++) {
        CancelToken *token = cancel_new();
        cancel_set_deadline(token, os_now_ns() + 300000000);
        ScanStream *waiting = make_stream(plan, token, (ScanParams){.call.owner = &owner});
        Drain all = drain(waiting);
        assert_int_equal(all.status, TRIB_TIMEOUT);
        scan_stream_free(waiting, INT64_C(1000000000));
        cancel_release(token);
    }
    assert_int_equal(exhausted_calls, 1);
    scan_stream_free(idle, INT64_C(1000000000));
    source_set_exhausted_hook(NULL);
    source_plan_release(plan);
    source_release(source);
}

/* Metadata calls need a connection too: a scan that nobody reads gives its own back, a cursor does not. */
static void test_metadata_connection(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "1000000")};
    Source *source = open_fake("meta", 1, 1, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    ScanStream *ahead = make_stream(plan, NULL, (ScanParams){0});
    char text[128];
    Error err;
    CancelToken *token = cancel_new();
    SourceCall call = {.deadline_ns = INT64_MAX, .cancel = token};
    scan_stream_start(ahead);
    scans_become(1);
    assert_int_equal(source_check(source, &call, text, sizeof text, &err), TRIB_OK);
    Drain some = {.stream = ahead, .most = 10};
    drain_run(&some);
    cancel_set_deadline(token, os_now_ns() + 100000000);
    assert_int_equal(source_check(source, &call, text, sizeof text, &err), TRIB_TIMEOUT);
    scan_stream_free(ahead, INT64_C(1000000000));
    cancel_reset(token);
    assert_int_equal(source_check(source, &call, text, sizeof text, &err), TRIB_OK);
    cancel_release(token);
    source_plan_release(plan);
    source_release(source);
}

/* Many scans on few connections, started ahead or not, on many threads: all of them end, and rightly. */
static void *crowd_run(void *context) {
    SourcePlan *plan = context;
    for (int i = 0; i < 20; i++) {
        ScanStream *a = make_stream(plan, NULL, (ScanParams){0}),
                   *b = make_stream(plan, NULL, (ScanParams){0});
        scan_stream_start(a);
        scan_stream_start(b);
        Drain of_b = drain(b), of_a = drain(a);
        assert_int_equal(of_a.status, TRIB_OK);
        assert_int_equal(of_b.status, TRIB_OK);
        assert_int_equal(of_a.rows, 8000);
        assert_int_equal(of_b.sum, sum_of(4, 2000));
        scan_stream_free(a, INT64_C(1000000000));
        scan_stream_free(b, INT64_C(1000000000));
    }
    return NULL;
}

static void test_crowd(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "2000"), OPTION("splits", "4")};
    Source *source = open_fake("crowd", 2, 2, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    pthread_t threads[6];
    counters->most_scans = 0;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_create(&threads[i], NULL, crowd_run, plan);
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
    assert_true(counters->most_scans <= 2);
    scans_become(0);
    source_plan_release(plan);
    source_release(source);
}

/* ---------------------------------------------------------------- budget, rate */

static void test_budget(void **state) {
    (void)state;
    TribOption options[] = {OPTION("rows", "50000"), OPTION("splits", "4")};
    Source *source = open_fake("poor", 4, 2, options);
    SourcePlan *plan = make_plan(source, "main", "orders");
    Budget *budget = budget_new(NULL, "query", 150000);
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){.budget = budget});
    Drain all = drain(stream);
    assert_int_equal(all.status, TRIB_OK);
    assert_int_equal(all.rows, 200000);
    scan_stream_free(stream, INT64_C(1000000000));
    assert_int_equal(budget_used(budget), 0);
    assert_true(budget_peak(budget) < 400000); /* one block and one library at least */
    budget_free(budget);
    source_plan_release(plan);
    source_release(source);
}

static void test_rate(void **state) {
    (void)state;
    const TribConnector *connector;
    Error err;
    Source *source;
    char text[128];
    assert_int_equal(connector_load(STR("fake"), FOLDERS, &connector, &err), TRIB_OK);
    SourceParams params = {.connector = connector,
                           .name = "slow",
                           .fingerprint = STR("rate"),
                           .max_requests_per_second = 50};
    assert_int_equal(source_open(&params, &source, &err), TRIB_OK);
    SourceCall call = {.deadline_ns = INT64_MAX};
    int64_t begun = os_now_ns();
    for (int i = 0; i < 25; i++)
        assert_int_equal(source_check(source, &call, text, sizeof text, &err), TRIB_OK);
    assert_true(os_now_ns() - begun > 300000000);
    source_release(source);
}

/* ---------------------------------------------------------------- memory */

static void fill_memory(Source *source, const char *name, TribWriteKind kind, uint32_t rows,
                        bool commit, SourceTx *tx, uint64_t *written) {
    TribTable table = {.size = sizeof table,
                       .schema = "default",
                       .name = name,
                       .ncolumns = 2,
                       .columns = plan_columns};
    const uint32_t columns[] = {0, 1};
    TribWriteRequest request = {.size = sizeof request,
                                .kind = kind,
                                .table = &table,
                                .ncolumns = 2,
                                .columns = columns,
                                .transaction = source_tx_handle(tx)};
    SourceCall call = {.deadline_ns = INT64_MAX};
    TribWriter *writer;
    Error err;
    assert_int_equal(source_write_open(source, &call, &request, &writer, &err), TRIB_OK);
    Arena *arena = arena_new(NULL);
    Batch batch;
    batch_init(&batch, arena);
    for (uint32_t done = 0; done < rows;) {
        uint32_t count = rows - done < BATCH_ROWS ? rows - done : BATCH_ROWS;
        assert_int_equal(batch_columns(&batch, 2, &err), TRIB_OK);
        assert_int_equal(vector_new(arena, plan_types[0], BATCH_ROWS, &batch.columns[0], &err),
                         TRIB_OK);
        assert_int_equal(vector_new(arena, plan_types[1], BATCH_ROWS, &batch.columns[1], &err),
                         TRIB_OK);
        uint16_t *selection = ARENA_ARRAY(arena, uint16_t, BATCH_ROWS);
        uint32_t selected = 0;
        /* Every second position is a row, so that exporting must gather. */
        for (uint32_t i = 0; i < count && selected * 2 < BATCH_ROWS; i++, selected++) {
            int64_t id = done + i;
            uint32_t at = selected * 2;
            TribValue number = {.type = plan_types[0], .as.integer = id};
            char *text =
                arena_printf(arena, id % 2 ? "r%lld" : "a somewhat longer row %lld", (long long)id);
            TribValue string = {
                .type = plan_types[1], .is_null = id % 7 == 3, .as.text = {text, strlen(text)}};
            selection[selected] = (uint16_t)at;
            assert_int_equal(vector_set(arena, &batch.columns[0], at, &number, &err), TRIB_OK);
            assert_int_equal(vector_set(arena, &batch.columns[1], at, &string, &err), TRIB_OK);
        }
        batch.count = BATCH_ROWS;
        batch.selection = selection;
        batch.selected = selected;
        assert_int_equal(source_write_batch(source, writer, &batch, &err), TRIB_OK);
        batch_clear(&batch);
        done += selected;
    }
    arena_free(arena);
    assert_int_equal(source_write_close(source, writer, commit, written, &err), TRIB_OK);
}

static Source *open_memory(void) {
    const TribConnector *connector;
    Error err;
    Source *source;
    assert_int_equal(connector_load(STR("memory"), FOLDERS, &connector, &err), TRIB_OK);
    SourceParams params = {.connector = connector, .name = "ram", .fingerprint = STR("memory:ram")};
    assert_int_equal(source_open(&params, &source, &err), TRIB_OK);
    return source;
}

static Drain read_memory(Source *source, const char *name, SourceTx *tx) {
    SourcePlan *plan = make_plan(source, "default", name);
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){.transaction = tx});
    Drain all = drain(stream);
    scan_stream_free(stream, 0);
    source_plan_release(plan);
    assert_int_equal(all.status, TRIB_OK);
    assert_false(all.malformed);
    return all;
}

static void test_memory(void **state) {
    (void)state;
    Source *source = open_memory();
    SourceCall call = {.deadline_ns = INT64_MAX};
    uint64_t written;
    Error err;
    fill_memory(source, "t", TRIB_WRITE_CREATE, 200000, true, NULL, &written);
    assert_int_equal(written, 200000);
    Drain all = read_memory(source, "t", NULL);
    assert_int_equal(all.rows, 200000);
    assert_int_equal(all.sum, sum_of(1, 200000));
    /* Undone: as if it had not been. */
    fill_memory(source, "t", TRIB_WRITE_INSERT, 5000, false, NULL, &written);
    fill_memory(source, "u", TRIB_WRITE_CREATE, 5000, false, NULL, &written);
    assert_int_equal(read_memory(source, "t", NULL).rows, 200000);
    /* Many small writes: merged into larger row groups, still in order. */
    fill_memory(source, "small", TRIB_WRITE_CREATE, 1, true, NULL, &written);
    for (int i = 0; i < 300; i++)
        fill_memory(source, "small", TRIB_WRITE_INSERT, 3, true, NULL, &written);
    all = read_memory(source, "small", NULL);
    assert_int_equal(all.rows, 901);
    assert_int_equal(all.sum, 900);
    /* A name of its own, once. */
    TribTable table = {.size = sizeof table,
                       .schema = "default",
                       .name = "t",
                       .ncolumns = 2,
                       .columns = plan_columns};
    TribDdl ddl = {.size = sizeof ddl,
                   .kind = TRIB_DDL_CREATE_TABLE,
                   .schema = "default",
                   .name = "t",
                   .table = &table};
    assert_int_equal(source_ddl(source, &call, &ddl, &err), TRIB_EXISTS);
    assert_string_equal(err.sqlstate, "42S01");
    ddl.if_exists = true;
    assert_int_equal(source_ddl(source, &call, &ddl, &err), TRIB_OK);
    /* The state outlives the source. */
    source_release(source);
    source = open_memory();
    assert_int_equal(read_memory(source, "t", NULL).rows, 200000);
    ddl.kind = TRIB_DDL_DROP_TABLE;
    ddl.if_exists = false;
    SourcePlan *plan = make_plan(source, "default", "t");
    assert_int_equal(source_ddl(source, &call, &ddl, &err), TRIB_OK);
    assert_int_equal(source_ddl(source, &call, &ddl, &err), TRIB_NOT_FOUND);
    /* A plan keeps what it was made on. */
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){0});
    assert_int_equal(drain(stream).rows, 200000);
    scan_stream_free(stream, 0);
    source_plan_release(plan);
    source_release(source);
}

static void test_transaction(void **state) {
    (void)state;
    Source *source = open_memory();
    SourceCall call = {.deadline_ns = INT64_MAX};
    SourceTx *tx;
    uint64_t written;
    Error err;
    fill_memory(source, "x", TRIB_WRITE_CREATE, 10, true, NULL, &written);
    for (int commit = 0; commit < 2; commit++) {
        assert_int_equal(source_tx_begin(source, &call, 0, false, &tx, &err), TRIB_OK);
        fill_memory(source, "x", TRIB_WRITE_INSERT, 5, true, tx, &written);
        fill_memory(source, "y", TRIB_WRITE_CREATE, 7, true, tx, &written);
        assert_int_equal(read_memory(source, "x", NULL).rows, 10); /* others do not see it */
        assert_int_equal(read_memory(source, "x", tx).rows, 15);   /* it sees itself */
        assert_int_equal(source_tx_end(tx, &call, commit == 1, &err), TRIB_OK);
        assert_int_equal(read_memory(source, "x", NULL).rows, commit ? 15 : 10);
    }
    assert_int_equal(read_memory(source, "y", NULL).rows, 7);
    source_release(source);
}

/* A level that the source has not becomes the next stronger one; without a wish it is the source's own. */
static void test_levels(void **state) {
    static const struct {
        TribIsolation wanted, given;
    } rows[] = {{0, TRIB_READ_COMMITTED},
                {TRIB_READ_UNCOMMITTED, TRIB_READ_COMMITTED},
                {TRIB_READ_COMMITTED, TRIB_READ_COMMITTED},
                {TRIB_REPEATABLE_READ, TRIB_SERIALIZABLE},
                {TRIB_SERIALIZABLE, TRIB_SERIALIZABLE}};
    Source *source = open_fake("levels", 1, 0, NULL), *second = open_fake("others", 1, 0, NULL);
    SourceCall call = {.deadline_ns = INT64_MAX};
    int32_t committed = counters->committed, undone = counters->undone;
    SourceTx *tx;
    Error err;
    assert_true(source_has_transactions(source));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(source_tx_begin(source, &call, rows[i].wanted, false, &tx, &err), TRIB_OK);
        assert_int_equal(counters->isolation, rows[i].given);
        call.transaction = tx;
        assert_ptr_equal(source_call_tx(source, &call), tx);
        assert_null(source_call_tx(second, &call)); /* it belongs to one source */
        call.transaction = NULL;
        assert_int_equal(source_tx_end(tx, &call, i % 2 == 0, &err), TRIB_OK);
    }
    assert_int_equal(counters->committed - committed, 3);
    assert_int_equal(counters->undone - undone, 2);
    source_release(source);
    source_release(second);
}

typedef struct Turn {
    SourceTx *tx;
    CancelToken *token;
    Status status;
    Error err;
    _Atomic bool entered;
} Turn;

static void *turn_run(void *context) {
    Turn *self = context;
    self->status = source_tx_enter(self->tx, self->token, &self->err);
    self->entered = self->status == TRIB_OK;
    return NULL;
}

/* One thing at a time uses a transaction; who waits can be cancelled, and is told that it has ended. */
static void test_turns(void **state) {
    Source *source = open_fake("turns", 1, 0, NULL);
    SourceCall call = {.deadline_ns = INT64_MAX};
    Turn cancelled = {.token = cancel_new()}, next = {0}, late = {0};
    pthread_t threads[3];
    SourceTx *tx;
    Error err;
    assert_int_equal(source_tx_begin(source, &call, 0, false, &tx, &err), TRIB_OK);
    source_tx_retain(tx);
    cancelled.tx = next.tx = late.tx = tx;
    assert_int_equal(source_tx_enter(tx, NULL, &err), TRIB_OK);
    pthread_create(&threads[0], NULL, turn_run, &cancelled);
    usleep(20000);
    assert_false(cancelled.entered);
    cancel_set(cancelled.token, CANCEL_REQUESTED);
    pthread_join(threads[0], NULL);
    assert_int_equal(cancelled.status, TRIB_CANCELLED);
    assert_string_equal(cancelled.err.sqlstate, "HY008");
    pthread_create(&threads[1], NULL, turn_run, &next);
    usleep(20000);
    assert_false(next.entered);
    source_tx_leave(tx);
    pthread_join(threads[1], NULL);
    assert_true(next.entered);
    pthread_create(&threads[2], NULL, turn_run, &late);
    usleep(20000);
    source_tx_leave(tx); /* `late` may come before the end, and the end waits for it then */
    pthread_join(threads[2], NULL);
    assert_true(late.entered);
    source_tx_leave(tx);
    assert_int_equal(source_tx_end(tx, &call, true, &err), TRIB_OK);
    assert_int_equal(source_tx_enter(tx, NULL, &err), TRIB_STATE);
    assert_string_equal(err.sqlstate, "25000");
    source_tx_release(tx);
    cancel_release(cancelled.token);
    source_release(source);
}

/* The only connection belongs to the transaction until it ends; its own calls use it. */
static void test_transaction_connection(void **state) {
    Source *source = open_fake("held", 1, 0, NULL);
    CancelToken *token = cancel_new();
    SourceCall call = {.deadline_ns = INT64_MAX}, waits = {.deadline_ns = INT64_MAX};
    SourceTx *tx;
    char text[100];
    Error err;
    assert_int_equal(source_tx_begin(source, &call, 0, false, &tx, &err), TRIB_OK);
    cancel_set_deadline(token, os_now_ns() + 100000000);
    waits.cancel = token;
    assert_int_equal(source_check(source, &waits, text, sizeof text, &err), TRIB_TIMEOUT);
    waits.transaction = tx;
    waits.cancel = NULL;
    assert_int_equal(source_check(source, &waits, text, sizeof text, &err), TRIB_OK);
    assert_int_equal(source_tx_end(tx, &call, false, &err), TRIB_OK);
    assert_int_equal(source_check(source, &call, text, sizeof text, &err), TRIB_OK);
    cancel_release(token);
    source_release(source);
}

/* Readers and writers of one table at once: each read sees whole writes. */
static _Atomic bool writers_done;

static void *write_run(void *context) {
    uint64_t written;
    for (int i = 0; i < 60; i++)
        fill_memory(context, "busy", TRIB_WRITE_INSERT, 100, true, NULL, &written);
    writers_done = true;
    return NULL;
}

static void test_memory_threads(void **state) {
    (void)state;
    Source *source = open_memory();
    uint64_t written, before = 0;
    pthread_t writer;
    fill_memory(source, "busy", TRIB_WRITE_CREATE, 100, true, NULL, &written);
    pthread_create(&writer, NULL, write_run, source);
    while (!writers_done) {
        Drain all = read_memory(source, "busy", NULL);
        assert_int_equal(all.rows % 100, 0);
        assert_true(all.rows >= before);
        assert_int_equal(all.sum, all.rows / 100 * sum_of(1, 100));
        before = all.rows;
    }
    pthread_join(writer, NULL);
    assert_int_equal(read_memory(source, "busy", NULL).rows, 6100);
    source_release(source);
}

/* ---------------------------------------------------------------- exit and fork */

static int child_status(pid_t child) {
    int code = -1;
    assert_int_equal(waitpid(child, &code, 0), child);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

/* The process exits while threads fetch, one of them deaf: it would be waited for until the alarm. */
static void test_exit(void **state) {
    (void)state;
    static const char *const hangs[] = {"none", "cancel", "deaf"};
    for (size_t i = 0; i < COUNT_OF(hangs); i++) {
        pid_t child = fork();
        if (child == 0) {
            TribOption options[] = {ENDLESS, OPTION("hang", hangs[i])};
            alarm(50);
            Source *source = open_fake("exit", 2, COUNT_OF(options), options);
            ScanStream *stream =
                make_stream(make_plan(source, "main", "orders"), NULL, (ScanParams){0});
            Drain some = {.stream = stream, .most = 10};
            drain_run(&some);
            exit(some.rows >= 10 ? 0 : 1);
        }
        assert_int_equal(child_status(child), 0);
    }
}

/* A forked child opens sources of its own; the parent's are not touched. */
static void test_fork(void **state) {
    (void)state;
#ifdef TRIB_TSAN
    skip(); /* the sanitizer knows no threads in a forked child */
#endif
    TribOption options[] = {OPTION("rows", "50000")};
    Source *source = open_fake("fork", 2, 1, options), *ram = open_memory();
    uint64_t written;
    fill_memory(ram, "forked", TRIB_WRITE_CREATE, 1000, true, NULL, &written);
    SourcePlan *plan = make_plan(source, "main", "orders");
    ScanStream *stream = make_stream(plan, NULL, (ScanParams){0});
    Drain some = {.stream = stream, .most = 10};
    drain_run(&some);
    pid_t child = fork();
    if (child == 0) {
        Source *own = open_fake("child", 2, 1, options), *own_ram = open_memory();
        SourcePlan *own_plan = make_plan(own, "main", "orders");
        ScanStream *own_stream = make_stream(own_plan, NULL, (ScanParams){0});
        bool good = own != source && own_ram != ram && drain(own_stream).rows == 50000;
        good = good && read_memory(own_ram, "forked", NULL).rows == 1000;
        scan_stream_free(own_stream, INT64_C(1000000000));
        source_release(source); /* the parent's: nothing happens */
        _exit(good ? 0 : 1);
    }
    assert_int_equal(child_status(child), 0);
    assert_int_equal(drain(stream).status, TRIB_OK);
    scan_stream_free(stream, INT64_C(1000000000));
    source_plan_release(plan);
    source_release(source);
    source_release(ram);
}

static int setup(void **state) {
    (void)state;
    void *object = dlopen("tests/unit/.libs/trib_fake.so", RTLD_NOW | RTLD_LOCAL);
    if (!object) return -1;
    FakeCounters *(*entry)(void);
    void *symbol = dlsym(object, "fake_counters");
    memcpy(&entry, &symbol, sizeof entry);
    counters = entry();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),           cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_scan),           cmocka_unit_test(test_limit),
        cmocka_unit_test(test_retry),          cmocka_unit_test(test_lies),
        cmocka_unit_test(test_cancel),         cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_cancel_anytime), cmocka_unit_test(test_one_connection),
        cmocka_unit_test(test_exhausted),      cmocka_unit_test(test_metadata_connection),
        cmocka_unit_test(test_crowd),          cmocka_unit_test(test_budget),
        cmocka_unit_test(test_rate),           cmocka_unit_test(test_memory),
        cmocka_unit_test(test_transaction),    cmocka_unit_test(test_levels),
        cmocka_unit_test(test_turns),          cmocka_unit_test(test_transaction_connection),
        cmocka_unit_test(test_memory_threads), cmocka_unit_test(test_exit),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests_name("source", tests, setup, NULL);
}
