/*
 * scan.c - reads a part of a plan: request by request, page by page.
 *
 * A part is a list of units read one after another: one segment of a Scan; the Queries of every nth hash
 * key; every nth chunk of 100 keys for BatchGetItem. A unit goes on until an answer says that there is no
 * more (LastEvaluatedKey, UnprocessedKeys). A page token that comes twice in a row would go on for ever,
 * and is an error. BatchGetItem may leave keys unprocessed: they are asked for again, after a pause that
 * doubles while nothing at all is processed, eight times at most.
 *
 * A runtime filter that is known when the scan opens makes look-ups of a Scan. The engine gives it to all
 * parts of a read or to none, so that every part takes its share of the keys instead of its segment.
 *
 * What is asked for before it is needed: fetch.c.
 *
 * One thread at a time, but scan_cancel. Memory: an arena for the scan, one for the page, the batch, and
 * the bodies of two answers, of up to nine where Queries run ahead (each at most 64 MiB; DynamoDB's have
 * about 1 MiB of items).
 */
#include "connectors/dynamodb/scan.h"

#include "connectors/support/call.h"

enum { NEXT_MOST = 20 << 20, FRUITLESS_MOST = 8 };

static Status cancelled(const TribScan *self, Error *err) {
    error_set(err, ERR_CANCELLED, "the query was cancelled");
    return error_source(err, self->catalog->name);
}

/* ---------------------------------------------------------------- opening */

void scan_release(TribScan *self) {
    fetches_release(self);
    if (self->session) http_session_give(self->session);
    batch_builder_free(self->builder);
    buf_clear(&self->scratch);
    buf_clear(&self->next);
    plan_release(self->plan);
    arena_free(self->arena);
}

/* Hash keys out of a runtime filter's values; values that no key can be are left out. */
static Status lookup_keys(TribScan *self, const Lookup *lookup, const TribFilterKey *key,
                          Error *err) {
    const ColumnInfo *column = &self->plan->columns[self->plan->outputs[lookup->output]];
    TRY_ALLOC(self->keys, ARENA_ARRAY(self->arena, FilterValue, key->nvalues), err);
    for (size_t i = 0; i < key->nvalues; i++) {
        FilterValue value;
        if (!filter_value(self->arena, column, &key->values[i], &value)) continue;
        bool possible = value.type == ATTR_N || (value.text.len > 0 && value.text.len <= 2048);
        if (possible) self->keys[self->nkeys++] = value;
    }
    self->nkeys = filter_values_distinct(self->keys, self->nkeys);
    self->way = (Way){
        .kind = lookup->kind, .path = lookup->path, .filters_sent = lookup->kind == READ_QUERY};
    return TRIB_OK;
}

/* Are so many look-ups better than a scan? */
static bool lookups_pay(const TribPlan *plan, const Lookup *lookup, size_t count) {
    int64_t items = plan->facts.items; /* 0: not counted yet */
    if (lookup->kind == READ_GET)
        return count <= LOOKUP_GET_MOST && (items == 0 || count <= (uint64_t)items);
    return count <= LOOKUP_QUERY_MOST && (items == 0 || count * 10 <= (uint64_t)items);
}

/* The share of a part whose filter says which keys can match. */
static Status take_filter(TribScan *self, TribFilter *filter, Error *err) {
    const TribPlan *plan = self->plan;
    const TribFilterKey *keys;
    uint32_t nkeys;
    if (!filter || plan->nlookups == 0 || !filter->ready(filter, &nkeys, &keys)) return TRIB_OK;
    for (uint32_t l = 0; l < plan->nlookups; l++) {
        for (uint32_t k = 0; k < nkeys; k++) {
            if (keys[k].output == plan->lookups[l].output && keys[k].complete &&
                lookups_pay(plan, &plan->lookups[l], keys[k].nvalues))
                return lookup_keys(self, &plan->lookups[l], &keys[k], err);
        }
    }
    return TRIB_OK;
}

static Status scan_prepare(TribScan *self, const TribScanRequest *request, Error *err) {
    const TribPlan *plan = self->plan;
    self->way = (Way){.kind = plan->kind,
                      .path = plan->path,
                      .range = plan->range,
                      .filters_sent = plan->kind != READ_GET};
    self->keys = plan->keys;
    self->nkeys = plan->nkeys;
    if (plan->kind == READ_SCAN) {
        self->nkeys = 0;
        TRY(take_filter(self, request->filter, err));
    }
    self->left = plan->limit;
    self->done = self->way.kind == READ_NOTHING || self->left == 0;
    self->unit = self->part.index;
    TRY_ALLOC(self->page_arena, arena_new(self->arena), err);
    TRY_ALLOC(self->values, ARENA_ARRAY(self->arena, AttrValue, plan->ncolumns), err);
    TRY_ALLOC(self->misfits, ARENA_ARRAY(self->arena, Misfit, plan->ncolumns), err);
    TRY(batch_builder_new(self->catalog->host, plan->types, plan->noutput, request->batch_rows,
                          request->batch_bytes, &self->builder, err));
    if (self->done) return TRIB_OK;
    TRY(request_compose(plan, &self->way, self->arena, &self->request, err));
    return http_session_take(self->catalog->client->http, self->call, &self->session, err);
}

TribStatus scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                     TribScan **out, struct ArrowSchema *schema, TribError *err) {
    Arena *arena;
    *out = NULL;
    memset(schema, 0, sizeof *schema); /* release == NULL: the canonical layout */
    TRY(call_check(call, catalog->name, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribScan *self = ARENA_NEW(arena, TribScan);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->arena = arena;
    self->plan = (TribPlan *)request->plan;
    plan_retain(self->plan);
    self->catalog = catalog;
    self->call = call;
    self->part =
        request->split && request->split->data ? *(const Part *)request->split->data : (Part){0, 1};
    buf_init(&self->scratch, NULL, SIZE_MAX / 2);
    buf_init(&self->next, NULL, NEXT_MOST);
    Status status = scan_prepare(self, request, err);
    if (status != TRIB_OK) {
        scan_release(self);
        return error_source(err, catalog->name);
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- requests */

static Status request_page(TribScan *self, Error *err) {
    TRY(fetch_page(self, err));
    arena_reset(self->page_arena);
    TRY(page_open(self, buf_view(&self->fetch->exchange.http.body), err));
    return fetch_ahead(self, err);
}

/* ---------------------------------------------------------------- units */

static Status page_ended(TribScan *self, Error *err) {
    Page *page = &self->page;
    bool get = self->way.kind == READ_GET;
    if (page->next.len == 0) {
        self->next.len = 0;
        self->unit_begun = false;
        self->fruitless = 0;
        self->unit += self->part.total;
        return TRIB_OK;
    }
    bool same = str_equal(page->next, buf_view(&self->next));
    if (!get && same)
        return answer_broken(self->catalog, "the same page comes again and again", err);
    self->fruitless = get && page->items == 0 ? self->fruitless + 1 : 0;
    if (self->fruitless > FRUITLESS_MOST) {
        error_set(err, ERR_THROTTLED, "DynamoDB leaves every key of a BatchGetItem unprocessed");
        error_hint(err,
                   "the table's read capacity is exhausted; max_requests_per_second caps requests");
        return error_source(err, self->catalog->name);
    }
    self->next.len = 0;
    buf_str(&self->next, page->next);
    return buf_status(&self->next, err);
}

/* Makes sure that an answer is open, or that all units are done. */
static Status unit_go_on(TribScan *self, Error *err) {
    if (self->page.open) return TRIB_OK;
    if (self->unit_begun) {
        TRY(page_ended(self, err));
    }
    if (self->unit >= scan_units(self) || self->left == 0) {
        self->done = true;
        return TRIB_OK;
    }
    self->unit_begun = true;
    return request_page(self, err);
}

/* Says what was read as NULL, once for the part. */
static void misfits_report(TribScan *self) {
    for (uint32_t i = 0; i < self->plan->ncolumns; i++) {
        Misfit *misfit = &self->misfits[i];
        if (misfit->count == 0) continue;
        call_warn(self->call,
                  STR_FORMAT "." STR_FORMAT
                             ": %llu values that its column cannot read (the first of "
                             "type %s) were read as NULL",
                  STR_ARGS(self->plan->table), STR_ARGS(self->plan->columns[i].name),
                  (unsigned long long)misfit->count, attr_type_name(misfit->type));
        misfit->count = 0;
    }
}

TribStatus scan_next(TribScan *self, uint32_t max_rows, TribBatch *batch, TribError *err) {
    memset(batch, 0, sizeof *batch); /* release == NULL: the end */
    TRY(call_check(self->call, self->catalog->name, err));
    if (atomic_load(&self->cancelled)) return cancelled(self, err);
    if (self->done) {
        misfits_report(self);
        return TRIB_OK;
    }
    if (self->page.open && fetch_ahead(self, err) != TRIB_OK)
        return error_source(err, self->catalog->name);
    TRY(batch_begin(self->builder, err));
    while (!self->done && self->builder->rows < max_rows && !batch_full(self->builder)) {
        Status status = unit_go_on(self, err);
        if (status == TRIB_OK && !self->done) status = page_read(self, max_rows, err);
        if (status != TRIB_OK) {
            answer_fault(self->catalog, err);
            return error_source(err, self->catalog->name);
        }
        if (self->left == 0) self->done = true;
        /* Rows that are there need not wait for the next answer. */
        if (self->builder->rows > 0 && !self->page.open) break;
    }
    if (self->done) misfits_report(self);
    if (self->builder->rows == 0) return TRIB_OK;
    batch_finish(self->builder, batch);
    self->stats.rows += (uint64_t)batch->array.length;
    return TRIB_OK;
}

void scan_cancel(TribScan *self) {
    atomic_store(&self->cancelled, true);
    if (self->session) http_session_cancel(self->session);
}

void scan_stats(TribScan *self, TribStats *stats) {
    TribStats now = self->stats;
    if (self->session) {
        HttpCounters counters = http_session_counters(self->session);
        now.requests = counters.requests;
        now.retries = counters.retries;
        now.bytes = counters.bytes;
    }
    size_t size = stats->size < sizeof now ? stats->size : sizeof now;
    now.size = size;
    memcpy(stats, &now, size);
}
