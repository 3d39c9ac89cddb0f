/*
 * s3_ahead.c - beginnings of ranges fetched all at once, and kept for who reads them soon.
 *
 * A first look at a table wants the beginnings of several files; one after the other they would cost a
 * round trip each. Here they are asked for together. The store keeps them, so that the samples, and the
 * scan that follows, read them from memory. A block serves ranges of the same key and ETag only; a scan
 * goes on behind it with If-Match, so that what it reads is of one version still; objects that a block
 * holds whole it asks for again.
 *
 * Memory: at most KEPT_BYTES per store, from the host, the oldest go first. Any thread; the list is
 * guarded by the store's lock, requests run outside it.
 */
#include "connectors/lake/s3_part.h"

#include <pthread.h>

enum { KEPT_BYTES = 8 * 1024 * 1024 };

/* ---------------------------------------------------------------- blocks */

static void block_free(S3Store *store, S3Block *block) {
    if (!block) return;
    host_free(store->host, block->data);
    host_free(store->host, block);
}

/* The block and its texts in one allocation, its data in another. NULL: out of memory. */
static S3Block *block_new(S3Store *store, const StoreRange *range) {
    const StoreObject *object = range->object;
    size_t key = strlen(object->key) + 1, etag = strlen(object->etag) + 1;
    S3Block *block = host_alloc(store->host, sizeof *block + key + etag);
    if (!block) return NULL;
    *block = (S3Block){.refs = 1,
                       .key = (char *)(block + 1),
                       .etag = (char *)(block + 1) + key,
                       .begin = range->begin,
                       .size = (size_t)(range->end - range->begin)};
    memcpy(block->key, object->key, key);
    memcpy(block->etag, object->etag, etag);
    block->data = host_alloc(store->host, block->size);
    if (block->data) return block;
    host_free(store->host, block);
    return NULL;
}

static void block_unref(S3Store *store, S3Block *block) {
    if (--block->refs == 0) block_free(store, block);
}

void s3_block_drop(S3Store *store, S3Block *block) {
    if (!block) return;
    pthread_mutex_lock(&store->lock);
    block_unref(store, block);
    pthread_mutex_unlock(&store->lock);
}

static bool block_serves(const S3Block *block, const StoreRange *range) {
    return range->begin >= block->begin && range->begin < block->begin + block->size &&
           strcmp(block->key, range->object->key) == 0 &&
           strcmp(block->etag, range->object->etag) == 0;
}

S3Block *s3_block_take(S3Store *store, const StoreRange *range) {
    S3Block *found = NULL;
    if (!range->object->etag || range->begin >= range->end) return NULL;
    pthread_mutex_lock(&store->lock);
    for (S3Block **at = &store->blocks; *at && !found; at = &(*at)->next) {
        /* A scan that asks for nothing behind the block would not see that the object is another now. */
        bool checked = range->peek || range->end > (*at)->begin + (*at)->size;
        if (!checked || !block_serves(*at, range)) continue;
        found = *at;
        if (range->peek) {
            found->refs++;
        } else { /* the list's reference goes to the caller */
            *at = found->next;
            store->kept -= found->size;
        }
        break;
    }
    pthread_mutex_unlock(&store->lock);
    return found;
}

/* Puts a block at the end of the list; the oldest make room. */
static void block_keep(S3Store *store, S3Block *block) {
    pthread_mutex_lock(&store->lock);
    store->kept += block->size;
    while (store->blocks && store->kept > KEPT_BYTES) {
        S3Block *oldest = store->blocks;
        store->blocks = oldest->next;
        store->kept -= oldest->size;
        block_unref(store, oldest);
    }
    S3Block **at = &store->blocks;
    while (*at) at = &(*at)->next;
    *at = block;
    pthread_mutex_unlock(&store->lock);
}

void s3_ahead_clear(S3Store *store) {
    while (store->blocks) {
        S3Block *next = store->blocks->next;
        block_free(store, store->blocks);
        store->blocks = next;
    }
}

/* ---------------------------------------------------------------- fetching */

typedef struct Ahead {
    S3Store *store;
    TribCall *call;
    HttpSession *session;
    Arena *arena;
    S3Part *parts;
    S3Block **blocks; /* per part */
    uint32_t count;
} Ahead;

static bool range_known(S3Store *store, const StoreRange *range) {
    StoreRange look = *range;
    look.peek = true;
    S3Block *block = s3_block_take(store, &look);
    s3_block_drop(store, block);
    return block != NULL;
}

static Status parts_start(Ahead *self, const StoreRange *ranges, uint32_t count, Error *err) {
    for (uint32_t i = 0; i < count; i++) {
        const StoreRange *range = &ranges[i];
        /* Without an ETag nothing says that a block is still what the object is. */
        if (!range->object->etag || range->begin >= range->end ||
            range->end - range->begin > KEPT_BYTES || range_known(self->store, range))
            continue;
        S3Part *part = &self->parts[self->count];
        S3Block *block;
        TRY_ALLOC(block, block_new(self->store, range), err);
        self->blocks[self->count++] = block;
        part->begin = block->begin;
        part->size = block->size;
        part->data = block->data;
        TRY(s3_part_start(part, self->store, range->object, self->session, self->call, self->arena,
                          err));
    }
    return TRIB_OK;
}

static Status parts_wait(Ahead *self, Error *err) {
    for (uint32_t i = 0; i < self->count; i++) {
        HttpExchange *ended;
        TRY(http_wait(self->session, &ended, err));
        if (!ended) return error_set(err, ERR_GENERAL, "a request to S3 was lost");
        s3_part_of(ended)->ended = true;
    }
    /* In their order: the error is the first object's, however the answers came. */
    for (uint32_t i = 0; i < self->count; i++) TRY(s3_part_check(&self->parts[i], err));
    for (uint32_t i = 0; i < self->count; i++) {
        block_keep(self->store, self->blocks[i]);
        self->blocks[i] = NULL;
    }
    return TRIB_OK;
}

static Status ahead_run(Ahead *self, const StoreRange *ranges, uint32_t count, Error *err) {
    TRY_ALLOC(self->parts, ARENA_ARRAY(self->arena, S3Part, count), err);
    TRY_ALLOC(self->blocks, ARENA_ARRAY(self->arena, S3Block *, count), err);
    TRY(http_session_take(self->store->client->http, self->call, &self->session, err));
    Status status = parts_start(self, ranges, count, err);
    if (status == TRIB_OK) status = parts_wait(self, err);
    for (uint32_t i = 0; i < self->count; i++) {
        s3_part_end(self->session, &self->parts[i]);
        block_free(self->store, self->blocks[i]);
    }
    HttpCounters counters = http_session_counters(self->session);
    if (count) {
        ranges->stats->requests += counters.requests;
        ranges->stats->retries += counters.retries;
        ranges->stats->bytes += counters.bytes;
    }
    http_session_give(self->session);
    return status;
}

Status s3_ahead(Store *base, TribCall *call, const StoreRange *ranges, uint32_t count, Error *err) {
    Ahead self = {.store = (S3Store *)base, .call = call};
    TRY_ALLOC(self.arena, arena_new(NULL), err);
    Status status = ahead_run(&self, ranges, count, err);
    arena_free(self.arena);
    return status;
}
