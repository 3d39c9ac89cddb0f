/*
 * s3_reader.c - a range of an object by several ranged GETs at once.
 *
 * The range is cut into parts; a few are under way while the first is handed out. Where only a look at
 * the beginning is wanted, parts begin small and few and grow as the reader goes on. What the store fetched
 * ahead (s3_ahead.c) is not asked for again.
 *
 * Memory: PARTS buffers from the host. One thread; the session notices cancellation itself.
 */
#include "connectors/lake/s3_part.h"
#include "engine/base/os.h"

enum { PARTS = 3, PART_FIRST = 128 * 1024, PART_MOST = 4 * 1024 * 1024 };

typedef struct S3Reader S3Reader;

struct S3Reader {
    StoreReader base; /* first */
    S3Store *store;
    TribCall *call;
    StoreRange range;
    HttpSession *session;
    Arena *arena;
    S3Part parts[PARTS]; /* a ring */
    uint32_t first, count;
    uint64_t next;  /* the first byte that nobody asked for yet */
    size_t taken;   /* bytes of the first part that were handed out */
    uint32_t done;  /* parts handed out whole */
    S3Block *block; /* fetched ahead, from range.begin on; NULL = none, or handed out */
    size_t block_taken, block_bytes;
    HttpCounters seen;
};

/* ---------------------------------------------------------------- requests */

/* Asks for the next part. */
static Status part_ask(S3Reader *self, Error *err) {
    S3Part *part = &self->parts[(self->first + self->count) % PARTS];
    uint64_t left = self->range.end - self->next;
    bool small = self->range.peek && self->done < 4;
    size_t size = small ? (size_t)PART_FIRST << self->done : PART_MOST;
    if (size > PART_MOST) size = PART_MOST;
    if (size > left) size = (size_t)left;
    if (part->room < size) {
        host_free(self->store->host, part->data);
        part->room = 0;
        TRY_ALLOC(part->data, host_alloc(self->store->host, size), err);
        part->room = size;
    }
    part->begin = self->next;
    part->size = size;
    self->next += size;
    self->count++;
    return s3_part_start(part, self->store, self->range.object, self->session, self->call,
                         self->arena, err);
}

static Status parts_ask(S3Reader *self, Error *err) {
    uint32_t most = self->range.peek && self->done + 1 < PARTS ? self->done + 1 : PARTS;
    while (self->count < most && self->next < self->range.end) TRY(part_ask(self, err));
    return TRIB_OK;
}

static void reader_count(S3Reader *self) {
    HttpCounters now = http_session_counters(self->session);
    self->range.stats->requests += now.requests - self->seen.requests;
    self->range.stats->retries += now.retries - self->seen.retries;
    self->range.stats->bytes += now.bytes - self->seen.bytes;
    self->seen = now;
}

/* Waits until the first part is complete. */
static Status part_wait(S3Reader *self, Error *err) {
    S3Part *part = &self->parts[self->first];
    Status status = TRIB_OK;
    while (status == TRIB_OK && !part->ended) {
        HttpExchange *ended;
        int64_t start = os_now_ns();
        status = http_wait(self->session, &ended, err);
        self->range.stats->wait_ns += os_now_ns() - start;
        if (status != TRIB_OK) break;
        if (!ended) return error_set(err, ERR_GENERAL, "a request to S3 was lost");
        s3_part_of(ended)->ended = true;
    }
    reader_count(self);
    TRY(status);
    return s3_part_check(part, err);
}

/* ---------------------------------------------------------------- the reader */

/* Hands out of what was fetched ahead. */
static void block_read(S3Reader *self, void *out, size_t size, size_t *got) {
    const S3Block *block = self->block;
    size_t skip = (size_t)(self->range.begin - block->begin) + self->block_taken;
    size_t left = self->block_bytes - self->block_taken;
    *got = left < size ? left : size;
    memcpy(out, block->data + skip, *got);
    self->block_taken += *got;
    if (self->block_taken < self->block_bytes) return;
    s3_block_drop(self->store, self->block);
    self->block = NULL;
}

static Status s3_read(StoreReader *base, void *out, size_t size, size_t *got, Error *err) {
    S3Reader *self = (S3Reader *)base;
    *got = 0;
    if (!self->block || !self->range.peek) TRY(parts_ask(self, err));
    if (self->block) {
        block_read(self, out, size, got);
        if (!self->range.peek) http_poke(self->session);
        return TRIB_OK;
    }
    if (self->count == 0) return TRIB_OK; /* the end */
    S3Part *part = &self->parts[self->first];
    TRY(part_wait(self, err));
    size_t left = part->size - self->taken, n = left < size ? left : size;
    memcpy(out, part->data + self->taken, n);
    self->taken += n;
    *got = n;
    if (self->taken < part->size) return TRIB_OK;
    s3_part_end(self->session, part);
    self->taken = 0;
    self->done++;
    self->first = (self->first + 1) % PARTS;
    self->count--;
    TRY(parts_ask(self, err));
    http_poke(self->session);
    return TRIB_OK;
}

static void s3_close(StoreReader *base) {
    S3Reader *self = (S3Reader *)base;
    for (uint32_t i = 0; i < PARTS; i++) {
        s3_part_end(self->session, &self->parts[i]);
        host_free(self->store->host, self->parts[i].data);
    }
    s3_block_drop(self->store, self->block);
    if (self->session) {
        reader_count(self);
        http_session_give(self->session);
    }
    arena_free(self->arena);
}

Status s3_open(Store *base, TribCall *call, const StoreRange *range, StoreReader **out,
               Error *err) {
    S3Store *store = (S3Store *)base;
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    S3Reader *self = ARENA_NEW(arena, S3Reader);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->base = (StoreReader){s3_read, s3_close};
    self->store = store;
    self->call = call;
    self->range = *range;
    self->arena = arena;
    self->next = range->begin;
    self->block = s3_block_take(store, range);
    if (self->block) {
        uint64_t end = self->block->begin + self->block->size;
        self->next = end < range->end ? end : range->end;
        self->block_bytes = (size_t)(self->next - range->begin);
    }
    Status status = http_session_take(store->client->http, call, &self->session, err);
    if (status != TRIB_OK) {
        s3_close(&self->base);
        return status;
    }
    *out = &self->base;
    return TRIB_OK;
}
