/*
 * s3_reader.c - a range of an object by several ranged GETs at once.
 *
 * The range is cut into parts; a few are under way while the first is handed out. Where only a look at
 * the beginning is wanted, parts begin small and few and grow as the reader goes on. Every request carries
 * If-Match with the ETag that the listing saw: an object that was replaced answers 412. An answer must be
 * the part that was asked for, of an object of the listed size, and as long as it says.
 *
 * Memory: PARTS buffers from the host. One thread; the session notices cancellation itself.
 */
#include <inttypes.h>

#include "connectors/lake/store_s3.h"
#include "engine/base/os.h"

enum { PARTS = 3, PART_FIRST = 128 * 1024, PART_MOST = 4 * 1024 * 1024 };

typedef struct S3Reader S3Reader;

typedef struct Part {
    AwsExchange exchange; /* first: hooks find the part */
    S3Reader *reader;
    HttpHeader headers[2];
    char range[64];
    char *data;
    size_t room;
    size_t size, got; /* asked for, received */
    uint64_t begin;
    bool initialised, started, ended;
} Part;

struct S3Reader {
    StoreReader base; /* first */
    S3Store *store;
    TribCall *call;
    StoreRange range;
    HttpSession *session;
    Arena *arena;
    Part parts[PARTS]; /* a ring */
    uint32_t first, count;
    uint64_t next; /* the first byte that nobody asked for yet */
    size_t taken;  /* bytes of the first part that were handed out */
    uint32_t done; /* parts handed out whole */
    HttpCounters seen;
};

/* ---------------------------------------------------------------- answers */

static Part *part_of(HttpExchange *http) {
    return (Part *)http; /* the exchange is the first member, http its first */
}

static Status part_body(HttpExchange *http, const char *data, size_t length, Error *err) {
    Part *part = part_of(http);
    if (length > part->size - part->got)
        return error_set(err, ERR_SOURCE, "S3 sent more of s3://%s than was asked for",
                         part->reader->range.object->key);
    memcpy(part->data + part->got, data, length);
    part->got += length;
    return TRIB_OK;
}

static void part_restart(HttpExchange *http) {
    part_of(http)->got = 0;
}

/* "bytes 0-99/1234": is it the part of an object of the listed size? */
static bool content_range_right(const Part *part, Str header) {
    char wanted[96];
    int n =
        text_format(wanted, sizeof wanted, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, part->begin,
                    part->begin + part->size - 1, part->reader->range.object->size);
    return str_equal_fold(str_trim(header), (Str){wanted, (size_t)n});
}

static Status part_check(const Part *part, Error *err) {
    const S3Reader *reader = part->reader;
    const StoreObject *object = reader->range.object;
    const HttpExchange *http = &part->exchange.http;
    if (http->status != TRIB_OK) {
        *err = http->err;
        return http->status;
    }
    bool whole = part->begin == 0 && part->size == object->size;
    if (http->code != 206 && !(http->code == 200 && whole)) {
        if (http->code < 300)
            return error_set(err, ERR_SOURCE, "S3 answered %u to a request for a part of s3://%s",
                             http->code, object->key);
        return s3_error(reader->store, &part->exchange, object, object->key, err);
    }
    if (http->code == 206 && !content_range_right(part, http_header(http, "content-range")))
        return store_changed(&reader->store->base, object, "it has another size now", err);
    if (part->got != part->size)
        return error_set(err, ERR_CONNECTION_LOST,
                         "S3 sent %zu bytes of s3://%s where %zu were asked for", part->got,
                         object->key, part->size);
    Str etag = http_header(http, "etag");
    if (object->etag && etag.len && !str_equal(str_trim(etag), str_from(object->etag)))
        return store_changed(&reader->store->base, object, "its ETag is another", err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- requests */

static Status part_fill(S3Reader *self, Part *part, Error *err) {
    const StoreObject *object = self->range.object;
    AwsExchange *exchange = &part->exchange;
    TRY(aws_exchange_init(exchange, self->store->client, self->call, err));
    part->initialised = true;
    TRY(s3_address(self->store, self->arena, object->key, false, exchange, err));
    int n = text_format(part->range, sizeof part->range, "bytes=%" PRIu64 "-%" PRIu64, part->begin,
                        part->begin + part->size - 1);
    part->headers[0] = (HttpHeader){STR("range"), {part->range, (size_t)n}};
    part->headers[1] = (HttpHeader){STR("if-match"), str_from(object->etag)};
    exchange->headers = part->headers;
    exchange->nheaders = object->etag ? 2 : 1;
    exchange->http.method = "GET";
    exchange->http.max_body = part->size + PART_MOST; /* part_body says it better */
    exchange->http.on_body = part_body;
    exchange->http.on_restart = part_restart;
    TRY(http_start(self->session, &exchange->http, err));
    part->started = true;
    return TRIB_OK;
}

/* Asks for the next part. */
static Status part_ask(S3Reader *self, Error *err) {
    Part *part = &self->parts[(self->first + self->count) % PARTS];
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
    part->reader = self;
    part->begin = self->next;
    part->size = size;
    part->got = 0;
    part->started = part->ended = false;
    self->next += size;
    self->count++;
    return part_fill(self, part, err);
}

static void part_end(S3Reader *self, Part *part) {
    if (!part->initialised) return;
    if (part->started && !part->ended) http_abort(self->session, &part->exchange.http);
    aws_exchange_clear(&part->exchange);
    part->initialised = part->started = false;
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
    Part *part = &self->parts[self->first];
    Status status = TRIB_OK;
    while (status == TRIB_OK && !part->ended) {
        HttpExchange *ended;
        int64_t start = os_now_ns();
        status = http_wait(self->session, &ended, err);
        self->range.stats->wait_ns += os_now_ns() - start;
        if (status != TRIB_OK) break;
        if (!ended) return error_set(err, ERR_GENERAL, "a request to S3 was lost");
        part_of(ended)->ended = true;
    }
    reader_count(self);
    TRY(status);
    return part_check(part, err);
}

/* ---------------------------------------------------------------- the reader */

static Status s3_read(StoreReader *base, void *out, size_t size, size_t *got, Error *err) {
    S3Reader *self = (S3Reader *)base;
    *got = 0;
    TRY(parts_ask(self, err));
    if (self->count == 0) return TRIB_OK; /* the end */
    Part *part = &self->parts[self->first];
    TRY(part_wait(self, err));
    size_t left = part->size - self->taken, n = left < size ? left : size;
    memcpy(out, part->data + self->taken, n);
    self->taken += n;
    *got = n;
    if (self->taken < part->size) return TRIB_OK;
    part_end(self, part);
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
        part_end(self, &self->parts[i]);
        host_free(self->store->host, self->parts[i].data);
    }
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
    Status status = http_session_take(store->client->http, call, &self->session, err);
    if (status != TRIB_OK) {
        s3_close(&self->base);
        return status;
    }
    *out = &self->base;
    return TRIB_OK;
}
