/*
 * store_s3.c - S3: addresses of objects, what is known of one, errors.
 *
 * A bucket is addressed in the host's name (AWS itself) or in the path (everything else, and buckets with
 * a dot, which no wildcard certificate covers); url_style decides otherwise. Keys are %-encoded but for
 * their slashes, as they are signed.
 */
#include "connectors/lake/s3_part.h"

#include "connectors/support/uri.h"
#include "engine/base/number.h"

static const AwsService service = {
    .id = "s3", .name = "S3", .variable = "AWS_ENDPOINT_URL_S3", .rules = AWS_SIGN_S3};

enum { SESSIONS_MOST = 256, URL_MAX = 64 * 1024 };

/* ---------------------------------------------------------------- addresses */

static bool virtual_host(const S3Store *self, Str bucket) {
    if (self->style != S3_STYLE_AUTO) return self->style == S3_STYLE_VIRTUAL;
    return !self->client->own_endpoint && !memchr(bucket.data, '.', bucket.len);
}

Status s3_address(const S3Store *self, Arena *arena, const char *name, bool bucket_only,
                  AwsExchange *exchange, Error *err) {
    const char *slash = strchr(name, '/');
    Str bucket = {name, slash ? (size_t)(slash - name) : strlen(name)};
    Str key = str_from(slash && !bucket_only ? slash + 1 : "");
    Buf path;
    if (bucket.len == 0) return error_set(err, ERR_CONFIGURATION, "s3://%s names no bucket", name);
    buf_init(&path, arena, URL_MAX);
    buf_char(&path, '/');
    if (virtual_host(self, bucket)) {
        const char *endpoint = self->client->endpoint, *host = strstr(endpoint, "://");
        size_t scheme = host ? (size_t)(host - endpoint) + 3 : 0;
        TRY_ALLOC(exchange->endpoint,
                  arena_printf(arena, "%.*s" STR_FORMAT ".%s", (int)scheme, endpoint,
                               STR_ARGS(bucket), endpoint + scheme),
                  err);
    } else {
        uri_encode(&path, bucket, false);
        if (!bucket_only) buf_char(&path, '/');
    }
    uri_encode(&path, key, true);
    TRY(buf_status(&path, err));
    exchange->path = buf_view(&path);
    return TRIB_OK;
}

Status s3_error(const S3Store *self, const AwsExchange *exchange, const StoreObject *object,
                const char *name, Error *err) {
    uint32_t code = exchange->http.code;
    if (object && code == 412)
        return store_changed(&self->base, object, "its ETag is another", err);
    if (object && (code == 404 || code == 416))
        return store_changed(&self->base, object,
                             code == 404 ? "it was removed" : "it became shorter", err);
    Status status = aws_error(exchange, err);
    /* A bucket that is not there is no missing table. */
    if (status == TRIB_NOT_FOUND) err->status = TRIB_IO;
    (void)error_detail(err, "s3://%s", name);
    return err->status;
}

/* ---------------------------------------------------------------- one object */

static Status head_read(const AwsExchange *exchange, Arena *arena, const char *key,
                        StoreObject *out, Error *err) {
    Str length = http_header(&exchange->http, "content-length");
    Str etag = http_header(&exchange->http, "etag");
    int64_t size;
    if (int64_parse(str_trim(length), &size) != NUMBER_OK || size < 0)
        return error_set(err, ERR_SOURCE, "S3 did not say how long s3://%s is", key);
    *out = (StoreObject){.key = key, .size = (uint64_t)size};
    if (etag.len) TRY_ALLOC(out->etag, str_dup(arena, etag), err);
    return TRIB_OK;
}

static void exchange_count(const AwsExchange *exchange, StoreStats *stats) {
    stats->requests += exchange->http.attempts;
    stats->retries += exchange->http.attempts ? exchange->http.attempts - 1 : 0;
    stats->wait_ns += exchange->http.wait_ns;
}

static Status s3_stat(Store *base, TribCall *call, Arena *arena, const char *key, StoreObject *out,
                      StoreStats *stats, Error *err) {
    S3Store *self = (S3Store *)base;
    AwsExchange exchange;
    if (!strchr(key, '/')) return error_set(err, ERR_TABLE_NOT_FOUND, "s3://%s is a bucket", key);
    TRY(aws_exchange_init(&exchange, self->client, call, err));
    exchange.http.method = "HEAD";
    Status status = s3_address(self, arena, key, false, &exchange, err);
    if (status == TRIB_OK) status = http_run(self->client->http, call, &exchange.http, err);
    exchange_count(&exchange, stats);
    uint32_t code = exchange.http.code;
    if (status == TRIB_OK && code == 200)
        status = head_read(&exchange, arena, key, out, err);
    else if (status == TRIB_OK && (code == 404 || code == 403 || code == 400))
        /* Where listing is allowed the list tells more than an answer without a body. */
        status = error_set(err, ERR_TABLE_NOT_FOUND, "s3://%s is no object", key);
    else if (status == TRIB_OK)
        status = s3_error(self, &exchange, NULL, key, err);
    aws_exchange_clear(&exchange);
    return status;
}

/* ---------------------------------------------------------------- life */

static void s3_free(Store *base) {
    S3Store *self = (S3Store *)base;
    s3_ahead_clear(self);
    pthread_mutex_destroy(&self->lock);
    aws_client_free(self->client);
    arena_free(self->arena);
}

Status store_s3_new(const Options *options, const TribHost *host, const char *catalog, Store **out,
                    Error *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    S3Store *self = ARENA_NEW(arena, S3Store);
    if (!self) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    self->base = (Store){"s3://", s3_list, s3_stat, s3_open, s3_free, true, s3_ahead};
    pthread_mutex_init(&self->lock, NULL);
    self->arena = arena;
    self->host = host;
    self->catalog = catalog;
    self->style = (S3Style)option_choice(options, "url_style");
    Status status =
        aws_client_new(&service, options, host, catalog, SESSIONS_MOST, &self->client, err);
    if (status != TRIB_OK) {
        pthread_mutex_destroy(&self->lock);
        arena_free(arena);
        return status;
    }
    *out = &self->base;
    return TRIB_OK;
}
