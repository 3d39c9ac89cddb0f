/*
 * fake_connector.c - a connector that does what tests ask of it: slow, failing, hanging, lying.
 *
 * One schema "main", any table; columns id bigint (split * 1,000,000 + row) and text varchar. Options
 * say how many rows and splits there are, and what goes wrong when. Counters are read by the test
 * through fake_counters(), from the same shared object.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "connectors/support/batch_builder.h"
#include "connectors/support/call.h"
#include "connectors/support/options.h"
#include "tests/unit/fake_connector.h"

static FakeCounters counters;

TRIB_EXPORT FakeCounters *fake_counters(void) {
    return &counters;
}

static const TribOptionDef fake_options[] = {
    {"splits", TRIB_OPTION_INTEGER, "1", NULL, 0, 1000, false, false, "number of splits"},
    {"rows", TRIB_OPTION_INTEGER, "10", NULL, 0, 1000000, false, false, "rows per split"},
    {"delay_us", TRIB_OPTION_INTEGER, "0", NULL, 0, 0, false, false, "pause per batch"},
    {"fail_row", TRIB_OPTION_INTEGER, "-1", NULL, 0, 0, false, false,
     "row before which each scan fails"},
    {"fail_times", TRIB_OPTION_INTEGER, "1", NULL, 0, 0, false, false, "how many scans fail"},
    {"fail", TRIB_OPTION_CHOICE, "lost", "lost|throttled|data|silent|plan", 0, 0, false, false,
     "how they fail"},
    {"hang", TRIB_OPTION_CHOICE, "none", "none|cancel|deaf|meet", 0, 0, false, false,
     "scan_next waits for a cancellation, until the test lets it hear, or for another scan"},
    {"lie", TRIB_OPTION_CHOICE, "none", "none|length|columns|offsets|utf8|values", 0, 0, false,
     false,
     "malformed batches; values: texts that the table does not have, where a limit was taken"},
    {"take", TRIB_OPTION_CHOICE, "none", "none|limit", 0, 0, false, false,
     "limit: takes LIMIT, and ORDER BY id with it"},
    {"filters", TRIB_OPTION_BOOLEAN, "false", NULL, 0, 0, false, false, "takes runtime filters"},
    {"describe_ms", TRIB_OPTION_DURATION_MS, "0", NULL, 0, 60000, false, false,
     "pause of describe_table"},
    {"size", TRIB_OPTION_BYTES, "1KB", NULL, 0, 1 << 30, false, false, "a size"},
    {"tags", TRIB_OPTION_LIST, NULL, NULL, 0, 0, false, false, "a list"},
    {"extra", TRIB_OPTION_JSON, NULL, NULL, 0, 0, false, false, "a document"},
    {"tls", TRIB_OPTION_BOOLEAN, "true", NULL, 0, 0, false, false, "a flag"},
    {"password", TRIB_OPTION_STRING, NULL, NULL, 0, 0, false, true, "a secret"},
    {0},
};

enum { HANG_CANCEL = 1, HANG_DEAF, HANG_MEET }; /* choices of the option */

struct TribCatalog {
    const TribHost *host;
    char name[64];
    int64_t splits, rows, delay_us, fail_row, fail, hang, lie, take, describe_ms;
    bool filters;
    _Atomic int64_t fail_times;
    char password[64];
};

struct TribPlan {
    _Atomic uint32_t references;
    TribCatalog *catalog;
    uint32_t ncolumns;
    uint32_t columns[16];
    int64_t limit; /* < 0: none was taken */
    TribSplit splits[1000];
    const TribSplit *list[1000];
};

struct TribScan {
    TribCatalog *catalog;
    TribPlan *plan;
    TribCall *call;
    uint32_t split;
    int64_t row;
    BatchBuilder *builder;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool cancelled;
    void *handle;
};

static TribStatus fake_open(const TribHost *host, const char *name, const TribOption *values,
                            uint32_t count, TribCatalog **out, TribError *err) {
    Options options;
    TRY(options_init(&options, name, fake_options, values, count, err));
    TribCatalog *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->host = host;
    (void)text_format(self->name, sizeof self->name, "%s", name);
    self->splits = option_integer(&options, "splits", 1);
    self->rows = option_integer(&options, "rows", 10);
    self->delay_us = option_integer(&options, "delay_us", 0);
    self->fail_row = option_integer(&options, "fail_row", -1);
    atomic_init(&self->fail_times, option_integer(&options, "fail_times", 1));
    self->fail = option_choice(&options, "fail");
    self->hang = option_choice(&options, "hang");
    self->lie = option_choice(&options, "lie");
    self->take = option_choice(&options, "take");
    self->filters = option_boolean(&options, "filters");
    self->describe_ms = option_integer(&options, "describe_ms", 0);
    (void)text_format(self->password, sizeof self->password, "%s",
                      option_text(&options, "password") ? option_text(&options, "password") : "");
    counters.opened++;
    *out = self;
    return TRIB_OK;
}

static void fake_close(TribCatalog *catalog) {
    counters.closed++;
    heap_free(catalog);
}

static TribStatus fake_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                             TribError *err) {
    (void)call;
    (void)err;
    (void)text_format(text, size, "fake %s password %s", catalog->name, catalog->password);
    return TRIB_OK;
}

static TribStatus fake_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                               TribError *err) {
    (void)catalog;
    (void)call;
    (void)err;
    counters.lists++;
    (void)(names->schema(names->self, "main") && names->schema(names->self, "Sales") &&
           names->schema(names->self, "SALES"));
    return TRIB_OK;
}

static TribStatus fake_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                              TribNames *names, TribError *err) {
    static const char *const tables[] = {"orders", "Customers", "Twin", "TWIN", "secret_plans"};
    (void)catalog;
    (void)call;
    (void)err;
    counters.lists++;
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        if (!names->table(names->self, schema ? schema : "main", tables[i], TRIB_TABLE_BASE, NULL))
            break;
    }
    return TRIB_OK;
}

static TribStatus fake_describe(TribCatalog *catalog, TribCall *call, const char *schema,
                                const char *table, TribNames *names, TribError *err) {
    static const char *const tables[] = {"orders", "Customers", "Twin", "TWIN", "secret_plans"};
    bool known = false;
    (void)call;
    counters.describes++;
    for (size_t i = 0; i < COUNT_OF(tables); i++) known = known || strcmp(tables[i], table) == 0;
    if (!known || (strcmp(schema, "main") != 0 && strcmp(schema, "Sales") != 0))
        return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s", table);
    if (catalog->describe_ms) {
        struct timespec pause = {.tv_sec = catalog->describe_ms / 1000,
                                 .tv_nsec = catalog->describe_ms % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
    static const uint32_t key_columns[] = {0};
    TribColumn columns[2] = {
        {.name = "id",
         .type = {.id = TRIB_TYPE_BIGINT},
         .remote_type = "int8",
         .distinct = -1,
         .null_fraction = 0},
        {.name = "text",
         .type = {.id = TRIB_TYPE_VARCHAR, .length = 20},
         .nullable = true,
         .facts = "class=1",
         .distinct = 7,
         .null_fraction = 0.5},
    };
    columns[0].minimum = (TribValue){.type = {.id = TRIB_TYPE_BIGINT}, .as.integer = 0};
    columns[0].maximum = (TribValue){.type = {.id = TRIB_TYPE_BIGINT}, .as.integer = 1000};
    TribKey key = {
        .name = "pk", .primary = true, .unique = true, .ncolumns = 1, .columns = key_columns};
    TribTable described = {.size = sizeof described,
                           .schema = schema,
                           .name = table,
                           .ncolumns = 2,
                           .columns = columns,
                           .nkeys = 1,
                           .keys = &key,
                           .rows = (double)(catalog->rows * catalog->splits)};
    return names->described(names->self, &described, err);
}

/* ---------------------------------------------------------------- plans */

static TribStatus fake_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                            TribError *err) {
    (void)call;
    TribPlan *self;
    if (catalog->fail == 4) return error_set(err, ERR_MISMATCH, "the fake source cannot plan");
    if (offer->noutput > 16) return error_set(err, ERR_UNSUPPORTED, "too many columns");
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    self->catalog = catalog;
    self->ncolumns = offer->noutput;
    for (uint32_t i = 0; i < offer->noutput; i++)
        self->columns[i] = offer->nodes[offer->output[i]].ref;
    for (int64_t i = 0; i < catalog->splits; i++) {
        self->splits[i] =
            (TribSplit){.size = sizeof(TribSplit), .data = (const void *)(uintptr_t)i};
        self->list[i] = &self->splits[i];
    }
    offer->taken = 0;
    self->limit = -1;
    if (catalog->take && offer->mode != TRIB_PUSHDOWN_OFF && offer->limit >= 0 &&
        offer->nconjuncts == 0) {
        self->limit = offer->limit;
        offer->taken = TRIB_TAKEN_LIMIT | (offer->norder ? TRIB_TAKEN_ORDER : 0);
    }
    for (uint32_t i = 0; catalog->filters && i < offer->nkeys; i++)
        offer->key_verdicts[i].kind = TRIB_SUPERSET;
    offer->text = "fake";
    offer->rows = -1;
    *out = self;
    return TRIB_OK;
}

static void fake_plan_retain(TribPlan *plan) {
    atomic_fetch_add(&plan->references, 1);
}

static void fake_plan_release(TribPlan *plan) {
    if (atomic_fetch_sub(&plan->references, 1) == 1) heap_free(plan);
}

static TribStatus fake_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                              const TribSplit *const **out, uint32_t *count, TribError *err) {
    (void)call;
    (void)err;
    (void)wanted;
    *out = plan->list;
    *count = (uint32_t)plan->catalog->splits;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scans */

static void scan_wake(void *context) {
    TribScan *self = context;
    pthread_mutex_lock(&self->lock);
    self->cancelled = true;
    pthread_cond_broadcast(&self->woken);
    pthread_mutex_unlock(&self->lock);
}

static TribStatus fake_scan_open(TribCatalog *catalog, TribCall *call,
                                 const TribScanRequest *request, TribScan **out,
                                 struct ArrowSchema *schema, TribError *err) {
    static const TribType all[2] = {{.id = TRIB_TYPE_BIGINT}, {.id = TRIB_TYPE_VARCHAR}};
    TribType types[16];
    TribScan *self;
    (void)schema;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    self->plan = (TribPlan *)request->plan;
    self->call = call;
    self->split = (uint32_t)(uintptr_t)request->split->data;
    for (uint32_t i = 0; i < self->plan->ncolumns; i++) types[i] = all[self->plan->columns[i]];
    Status status =
        batch_builder_new(catalog->host, types, self->plan->ncolumns, request->batch_rows,
                          request->batch_bytes, &self->builder, err);
    if (status != TRIB_OK) {
        heap_free(self);
        return status;
    }
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->woken, NULL);
    uint32_t nkeys = 0;
    const TribFilterKey *keys;
    if (request->filter && request->filter->ready(request->filter, &nkeys, &keys))
        counters.filter_keys += (int32_t)nkeys;
    self->handle = call->on_cancel(call, scan_wake, self);
    counters.scans++;
    int32_t now = atomic_fetch_add(&counters.open_scans, 1) + 1;
    int32_t most = atomic_load(&counters.most_scans);
    while (now > most && !atomic_compare_exchange_weak(&counters.most_scans, &most, now)) {
    }
    *out = self;
    return TRIB_OK;
}

static Status scan_fail(TribScan *self, Error *err) {
    switch (self->catalog->fail) {
    case 0: (void)error_set(err, ERR_CONNECTION_LOST, "the fake connection broke"); break;
    case 1: (void)error_set(err, ERR_THROTTLED, "the fake source asks for fewer requests"); break;
    case 3: return TRIB_LOST; /* without a message */
    default: return error_set(err, ERR_MISMATCH, "a fake value is wrong");
    }
    err->retryable = true;
    return err->status;
}

/* Waits, a minute at most, until the condition holds. */
static bool scan_await(bool (*holds)(void)) {
    static const struct timespec pause = {.tv_nsec = 5000000};
    for (int i = 0; i < 12000 && !holds(); i++) nanosleep(&pause, NULL);
    return holds();
}

static bool test_lets_hear(void) {
    return counters.hear;
}

static bool another_is_open(void) {
    return counters.most_scans > 1;
}

/* Two scans that are open at the same time meet; most_scans remembers it. */
static Status scan_meet(Error *err) {
    if (scan_await(another_is_open)) return TRIB_OK;
    return error_set(err, ERR_MISMATCH, "no other scan was opened beside the fake one");
}

static Status scan_hang(TribScan *self, Error *err) {
    if (self->catalog->hang == HANG_DEAF) {
        (void)scan_await(test_lets_hear);
        return error_set(err, ERR_CANCELLED, "cancelled at last");
    }
    pthread_mutex_lock(&self->lock);
    while (!self->cancelled) pthread_cond_wait(&self->woken, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return error_set(err, ERR_CANCELLED, "cancelled");
}

static Status scan_fill(TribScan *self, uint32_t max_rows, Error *err) {
    BatchBuilder *b = self->builder;
    TRY(batch_begin(b, err));
    int64_t rows = self->catalog->rows, limit = self->plan->limit;
    bool lying = self->catalog->lie == 5 && limit >= 0;
    if (limit >= 0 && limit < rows) rows = limit;
    while (self->row < rows && !batch_full(b) && b->rows < max_rows) {
        if (self->row == self->catalog->fail_row && atomic_load(&self->catalog->fail_times) > 0) {
            if (b->rows > 0) return TRIB_OK;
            atomic_fetch_sub(&self->catalog->fail_times, 1);
            return scan_fail(self, err);
        }
        int64_t id = (int64_t)self->split * 1000000 + self->row;
        for (uint32_t i = 0; i < b->ncolumns; i++) {
            char text[64];
            if (self->plan->columns[i] == 0) {
                batch_set_int64(&b->columns[i], b->rows, id);
                continue;
            }
            int length = text_format(text, sizeof text, "%s%lld",
                                     lying    ? "ghost "
                                     : id % 2 ? "r"
                                              : "a somewhat longer row ",
                                     (long long)id);
            if (id % 7 == 3)
                batch_set_null(&b->columns[i], b->rows);
            else
                TRY(batch_text(b, &b->columns[i], b->rows, text, (size_t)length, err));
        }
        batch_row_done(b);
        self->row++;
    }
    return TRIB_OK;
}

/* Makes the batch malformed in the way that the option says. */
static void batch_spoil(TribScan *self, TribBatch *batch) {
    switch (self->catalog->lie) {
    case 1: batch->array.children[0]->length /= 2; break;
    case 2: {
        struct ArrowArray *last = batch->array.children[--batch->array.n_children];
        last->release(last);
        break;
    }
    case 3: {
        int32_t *view = (int32_t *)(uintptr_t)batch->array.children[1]->buffers[1];
        view[3] = 1 << 30;
        view[0] = 13;
        break;
    }
    case 4: {
        char *view = (char *)(uintptr_t)batch->array.children[1]->buffers[1];
        memcpy(view, "\x02\0\0\0\xc3\x28\0\0\0\0\0\0\0\0\0\0", 16);
        break;
    }
    default: break;
    }
}

static TribStatus fake_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch,
                                 TribError *err) {
    counters.batches++;
    if (scan->catalog->hang == HANG_MEET)
        TRY(scan_meet(err));
    else if (scan->catalog->hang && scan->row > 0)
        return scan_hang(scan, err);
    if (scan->catalog->delay_us) {
        struct timespec pause = {.tv_sec = scan->catalog->delay_us / 1000000,
                                 .tv_nsec = scan->catalog->delay_us % 1000000 * 1000};
        nanosleep(&pause, NULL);
    }
    if (scan->call->cancelled(scan->call))
        return error_set(err, ERR_CANCELLED, "the fake scan was cancelled");
    TRY(scan_fill(scan, max_rows, err));
    batch->array.release = NULL;
    if (scan->builder->rows == 0) return TRIB_OK;
    batch_finish(scan->builder, batch);
    batch_spoil(scan, batch);
    return TRIB_OK;
}

static void fake_scan_cancel(TribScan *scan) {
    counters.cancels++;
    scan_wake(scan);
}

static void fake_scan_stats(TribScan *scan, TribStats *stats) {
    *stats = (TribStats){.size = sizeof *stats, .rows = (uint64_t)scan->row, .requests = 1};
}

static void fake_scan_release(TribScan *scan) {
    scan->call->off_cancel(scan->call, scan->handle);
    batch_builder_free(scan->builder);
    pthread_mutex_destroy(&scan->lock);
    pthread_cond_destroy(&scan->woken);
    heap_free(scan);
    atomic_fetch_sub(&counters.open_scans, 1);
}

/* ---------------------------------------------------------------- transactions */

struct TribTx {
    TribCatalog *catalog;
};

static TribStatus fake_tx_begin(TribCatalog *catalog, TribCall *call, const TribTxRequest *request,
                                TribTx **out, TribError *err) {
    TRY_ALLOC(*out, heap_alloc(sizeof **out), err);
    (*out)->catalog = catalog;
    counters.isolation = request->isolation;
    counters.begun++;
    return TRIB_OK;
}

static TribStatus fake_tx_end(TribTx *tx, TribCall *call, bool commit, TribError *err) {
    heap_free(tx);
    if (commit)
        counters.committed++;
    else
        counters.undone++;
    return TRIB_OK;
}

static const TribConnector fake_connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "fake",
    .summary = "for tests",
    .library_reserve = 65536,
    .options = fake_options,
    .open = fake_open,
    .close = fake_close,
    .check = fake_check,
    .list_schemas = fake_schemas,
    .list_tables = fake_tables,
    .describe_table = fake_describe,
    .plan = fake_plan,
    .plan_retain = fake_plan_retain,
    .plan_release = fake_plan_release,
    .splits = fake_splits,
    .scan_open = fake_scan_open,
    .scan_next = fake_scan_next,
    .scan_cancel = fake_scan_cancel,
    .scan_stats = fake_scan_stats,
    .scan_release = fake_scan_release,
    .tx_begin = fake_tx_begin,
    .tx_end = fake_tx_end,
    .isolations = TRIB_READ_COMMITTED | TRIB_SERIALIZABLE,
    .default_isolation = TRIB_READ_COMMITTED,
};

TRIB_EXPORT const TribConnector *trib_connector(void) {
    return &fake_connector;
}
