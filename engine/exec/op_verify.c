/*
 * op_verify.c - PushDown=verify: what a source answered against what it should have answered.
 *
 * Its input is the union of two or three sides with a last column that tells them apart: 0 = the fragment
 * as the source ran it, 1 = the same fragment over the bare table, computed here. Role: sink for all, then
 * source. The source's rows are held (in pages that spill) until all sides have ended; of both sides the
 * number of rows and two sums of row hashes are kept, which are equal for equal multisets and, but for a
 * chance of 2^-128, differ for others. Under a top-N the hashes cover the sort keys only, since ties may
 * fall either way; both sides are sorted here, so that equal multisets of keys are equal sequences. Under
 * a plain LIMIT only the numbers are compared.
 *
 * With a limit there is a third side, 2 = the fragment without it, which is read after the others: all
 * rows of the source must be among its rows (verify_sample.h). If anything differs the query fails before
 * it has given out a row. One worker puts the rows out, in the order in which they came.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/query_space.h"
#include "engine/exec/verify_sample.h"

#define VERIFY_MINIMUM (INT64_C(512) << 10)
#define PAGE_FIRST     16384
#define PAGE_MAX       (UINT32_C(256) * 1024)

typedef struct VerifySide {
    _Atomic uint64_t rows, sum, mixed;
} VerifySide;

typedef struct VerifyStore {
    struct VerifyStore *next;
    RowStore store;
    SampleList sample; /* hashes of its rows, if they must be contained in the third side */
} VerifyStore;

typedef struct VerifyShared {
    const PhysNode *node;
    Grant grant;
    bool lock_made;
    RowSpace space;
    RowLayout *layout;
    bool *may_null;
    VerifySide sides[2];
    pthread_mutex_t lock; /* guards stores, joining */
    VerifyStore *stores;  /* of all workers */
    _Atomic bool joined;
    SampleTable table;    /* the source's rows, once joined */
    VerifyStore *reading; /* of the source role, one worker */
    uint32_t page, row;
} VerifyShared;

typedef struct VerifyLocal {
    VerifyStore *store;
    FlatColumn *flat;
    uint64_t *hashes;
    uint16_t *positions;
    uint8_t **rows;
    ColumnRoom *rooms;
} VerifyLocal;

static uint64_t verify_min_memory(const PhysNode *node, uint32_t workers) {
    return (uint64_t)VERIFY_MINIMUM;
}

static Status verify_open(const PhysNode *node, Query *query, void *shared, Error *err) {
    VerifyShared *self = shared;
    self->node = node;
    if (pthread_mutex_init(&self->lock, NULL) != 0) return error_out_of_memory(err);
    self->lock_made = true;
    TRY(query_space_open(query, node, VERIFY_MINIMUM, PAGE_FIRST, PAGE_MAX, "to verify push-down",
                         &self->grant, &self->space, err));
    TRY_ALLOC(self->may_null, ARENA_ARRAY(query->arena, bool, node->ncolumns), err);
    for (uint32_t i = 0; i < node->ncolumns; i++) self->may_null[i] = true;
    return row_layout_new(query->arena, node->ncolumns, node->types, 0, 0, 8, &self->layout, err);
}

static void verify_close(void *shared) {
    VerifyShared *self = shared;
    for (VerifyStore *store = self->stores, *next; store; store = next) {
        next = store->next;
        row_store_clear(&store->store);
        sample_clear(&store->sample, &self->grant);
        heap_free(store);
    }
    sample_table_clear(&self->table, &self->grant);
    grant_clear(&self->grant);
    if (self->lock_made) pthread_mutex_destroy(&self->lock);
    self->lock_made = false;
}

static Status sink_open(OpContext *context, Error *err) {
    VerifyShared *self = context->shared;
    VerifyLocal *local = context->local;
    TRY_ALLOC(local->flat, ARENA_ARRAY(context->arena, FlatColumn, self->node->ncolumns), err);
    TRY_ALLOC(local->hashes, ARENA_ARRAY(context->arena, uint64_t, BATCH_ROWS), err);
    TRY_ALLOC(local->positions, ARENA_ARRAY(context->arena, uint16_t, BATCH_ROWS), err);
    TRY_ALLOC(local->rows, ARENA_ARRAY(context->arena, uint8_t *, BATCH_ROWS), err);
    VerifyStore *store;
    TRY_ALLOC(store, heap_alloc(sizeof *store), err);
    Status status = row_store_init(&store->store, self->layout, &self->space, RADIX_TOP, 0, err);
    if (status != TRIB_OK) {
        heap_free(store);
        return status;
    }
    pthread_mutex_lock(&self->lock);
    store->next = self->stores;
    self->stores = store;
    pthread_mutex_unlock(&self->lock);
    local->store = store;
    return TRIB_OK;
}

static Status verify_local_open(OpContext *context, Error *err) {
    VerifyShared *self = context->shared;
    VerifyLocal *local = context->local;
    if (context->role == ROLE_SINK) return sink_open(context, err);
    TRY_ALLOC(local->rooms, ARENA_ARRAY(context->arena, ColumnRoom, self->node->ncolumns), err);
    TRY_ALLOC(local->rows, ARENA_ARRAY(context->arena, uint8_t *, BATCH_ROWS), err);
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(column_room_new(context->arena, &self->layout->columns[i], &local->rooms[i], err));
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- collecting */

static uint64_t mix(uint64_t h) {
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    h ^= h >> 32;
    h *= UINT64_C(0xd6e8feb86659fd93);
    return h ^ (h >> 32);
}

static void add_hashes(VerifyShared *self, VerifyLocal *local, VerifySide *side, const Batch *in) {
    uint64_t sum = 0, mixed = 0;
    for (uint32_t k = 0; k < self->node->as.verify.nkeys; k++) {
        const Vector *column = &in->columns[self->node->as.verify.keys[k]];
        vector_hash(column, in->selection, in->selected, k > 0, local->hashes);
    }
    for (uint32_t i = 0; self->node->as.verify.nkeys && i < in->selected; i++) {
        sum += local->hashes[i];
        mixed += mix(local->hashes[i]);
    }
    atomic_fetch_add(&side->rows, in->selected);
    atomic_fetch_add(&side->sum, sum);
    atomic_fetch_add(&side->mixed, mixed);
}

static Status hold_rows(VerifyShared *self, VerifyLocal *local, Batch *in, Error *err) {
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(row_flatten(&self->layout->columns[i], &in->columns[i], in->selection, in->selected,
                        in->count, in->arena, &local->flat[i], err));
    }
    for (uint32_t i = 0; i < in->selected; i++) local->positions[i] = (uint16_t)batch_row(in, i);
    RowStore *store = &local->store->store;
    TRY(row_store_append(store, local->flat, local->positions, in->selected, NULL, local->rows,
                         err));
    if (!store->pressure) return TRIB_OK;
    row_store_sync(store);
    TRY(row_store_spill(store, 0, err));
    store->pressure = false;
    return TRIB_OK;
}

/* Hashes of whole rows. */
static void hash_rows(VerifyShared *self, VerifyLocal *local, const Batch *in) {
    for (uint32_t c = 0; c < self->node->ncolumns; c++)
        vector_hash(&in->columns[c], in->selection, in->selected, c > 0, local->hashes);
    if (self->node->ncolumns == 0) memset(local->hashes, 0, in->selected * sizeof *local->hashes);
}

/* The first batch of the third side: by then all workers have done with the others. */
static void join_samples(VerifyShared *self) {
    if (atomic_load(&self->joined)) return;
    pthread_mutex_lock(&self->lock);
    if (!atomic_load(&self->joined)) {
        VerifyStore *stores = self->stores;
        SampleList *lists = NULL;
        for (; stores; stores = stores->next) {
            stores->sample.next = lists;
            lists = &stores->sample;
        }
        sample_join(&self->table, &self->grant, lists);
        atomic_store(&self->joined, true);
    }
    pthread_mutex_unlock(&self->lock);
}

static void check_contained(VerifyShared *self, VerifyLocal *local, int32_t side, const Batch *in) {
    hash_rows(self, local, in);
    if (side == 2) join_samples(self);
    for (uint32_t i = 0; i < in->selected; i++) {
        if (side == 2)
            sample_take(&self->table, local->hashes[i]);
        else
            sample_add(&local->store->sample, &self->grant, local->hashes[i]);
    }
}

static Status verify_consume(OpContext *context, Batch *in, Step *step, Error *err) {
    VerifyShared *self = context->shared;
    VerifyLocal *local = context->local;
    const Vector *tag = &in->columns[self->node->ncolumns];
    int32_t side = *(const int32_t *)vector_at(tag, batch_row(in, 0));
    *step = STEP_NEED_INPUT;
    if (side == 2 || (side == 0 && self->node->as.verify.contained))
        check_contained(self, local, side, in);
    if (side == 2) return TRIB_OK;
    add_hashes(self, local, &self->sides[side], in);
    return side == 0 ? hold_rows(self, local, in, err) : TRIB_OK;
}

static Status verify_combine(OpContext *context, Error *err) {
    VerifyLocal *local = context->local;
    row_store_sync(&local->store->store);
    return TRIB_OK;
}

/* What is wrong, in words; false: nothing. */
static bool verify_differs(VerifyShared *self, Error *err) {
    VerifySide *pushed = &self->sides[0], *local = &self->sides[1];
    uint64_t foreign = 0;
    if (pushed->rows != local->rows) {
        error_set(err, ERR_VERIFY_FAILED,
                  "push-down is wrong: the source gave %" PRIu64
                  " rows for a piece of the query that has %" PRIu64 " when it is computed here",
                  (uint64_t)pushed->rows, (uint64_t)local->rows);
        return true;
    }
    if (pushed->sum != local->sum || pushed->mixed != local->mixed) {
        error_set(err, ERR_VERIFY_FAILED,
                  "push-down is wrong: the source gave other rows than this piece of the query has "
                  "when it is computed here (%" PRIu64 " rows on both sides)",
                  (uint64_t)local->rows);
        return true;
    }
    if (self->node->as.verify.contained) {
        join_samples(self); /* a table without rows has sent no batch */
        foreign = sample_left(&self->table);
    }
    if (foreign == 0) return false;
    error_set(err, ERR_VERIFY_FAILED,
              "push-down is wrong: %" PRIu64 " of the %" PRIu64
              " rows that the source gave are not among those that this piece of the query has "
              "without its limit",
              foreign, (uint64_t)pushed->rows);
    return true;
}

static Status verify_finish(OpContext *context, Step *step, Error *err) {
    VerifyShared *self = context->shared;
    const PhysNode *node = self->node;
    *step = STEP_FINISHED;
    self->reading = self->stores;
    if (!verify_differs(self, err)) return TRIB_OK;
    if (node->as.verify.text) error_detail(err, "sent: %s", node->as.verify.text);
    error_hint(
        err,
        "Unless the table changed meanwhile, please report it. PushDown=off gives the right rows.");
    return error_source(err, node->as.verify.catalog);
}

/* ---------------------------------------------------------------- giving out */

/* The next page with rows, loaded; NULL at the end. */
static Status next_page(VerifyShared *self, RowPage **out, Error *err) {
    while (self->reading) {
        PageList *list = &self->reading->store.lists[0];
        if (self->page < list->count) {
            RowPage *page = &list->pages[self->page];
            if (self->row < page->rows) {
                bool loaded = true;
                if (!page->data)
                    TRY(page_load(page, self->layout, &self->space, true, &loaded, err));
                *out = page;
                return TRIB_OK;
            }
            if (page->nblocks)
                page_unload(page, &self->space); /* its last rows have been consumed */
            self->page++;
            self->row = 0;
            continue;
        }
        self->reading = self->reading->next;
        self->page = 0;
    }
    *out = NULL;
    return TRIB_OK;
}

static Status verify_produce(OpContext *context, Batch *out, Step *step, Error *err) {
    VerifyShared *self = context->shared;
    VerifyLocal *local = context->local;
    RowPage *page;
    TRY(next_page(self, &page, err));
    *step = STEP_FINISHED;
    if (!page) return TRIB_OK;
    uint32_t n = page_rows(page, self->layout, self->row, local->rows);
    self->row += n;
    TRY(batch_columns(out, self->node->ncolumns, err));
    for (uint32_t i = 0; i < self->node->ncolumns; i++) {
        TRY(row_gather(self->layout, i, local->rows, n, NULL, n, self->may_null[i],
                       &local->rooms[i], out->arena, &out->columns[i], err));
    }
    out->count = out->selected = n;
    *step = STEP_HAVE_OUTPUT;
    return TRIB_OK;
}

const Operator op_verify = {
    .name = "verify",
    .shared_size = sizeof(VerifyShared),
    .local_size = sizeof(VerifyLocal),
    .min_memory = verify_min_memory,
    .open = verify_open,
    .close = verify_close,
    .local_open = verify_local_open,
    .consume = verify_consume,
    .combine = verify_combine,
    .finish = verify_finish,
    .produce = verify_produce,
    .source_ordered = true,
};
