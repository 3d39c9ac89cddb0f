/*
 * s3_part.c - one ranged GET.
 *
 * Every request carries If-Match with the ETag that the listing saw: an object that was replaced answers
 * 412. An answer must be the part that was asked for, of an object of the listed size, and as long as it
 * says. Memory: the caller's buffer. One thread.
 */
#include "connectors/lake/s3_part.h"

#include <inttypes.h>

enum { BODY_SPARE = 4 * 1024 * 1024 };

/* ---------------------------------------------------------------- answers */

S3Part *s3_part_of(HttpExchange *http) {
    return (S3Part *)http; /* the exchange is the first member, http its first */
}

static Status part_body(HttpExchange *http, const char *data, size_t length, Error *err) {
    S3Part *part = s3_part_of(http);
    if (length > part->size - part->got)
        return error_set(err, ERR_SOURCE, "S3 sent more of s3://%s than was asked for",
                         part->object->key);
    memcpy(part->data + part->got, data, length);
    part->got += length;
    return TRIB_OK;
}

static void part_restart(HttpExchange *http) {
    s3_part_of(http)->got = 0;
}

/* "bytes 0-99/1234": is it the part of an object of the listed size? */
static bool content_range_right(const S3Part *part, Str header) {
    char wanted[96];
    int n = text_format(wanted, sizeof wanted, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                        part->begin, part->begin + part->size - 1, part->object->size);
    return str_equal_fold(str_trim(header), (Str){wanted, (size_t)n});
}

Status s3_part_check(const S3Part *part, Error *err) {
    const StoreObject *object = part->object;
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
        return s3_error(part->store, &part->exchange, object, object->key, err);
    }
    if (http->code == 206 && !content_range_right(part, http_header(http, "content-range")))
        return store_changed(&part->store->base, object, "it has another size now", err);
    if (part->got != part->size)
        return error_set(err, ERR_CONNECTION_LOST,
                         "S3 sent %zu bytes of s3://%s where %zu were asked for", part->got,
                         object->key, part->size);
    Str etag = http_header(http, "etag");
    if (object->etag && etag.len && !str_equal(str_trim(etag), str_from(object->etag)))
        return store_changed(&part->store->base, object, "its ETag is another", err);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- requests */

Status s3_part_start(S3Part *part, S3Store *store, const StoreObject *object, HttpSession *session,
                     TribCall *call, Arena *arena, Error *err) {
    AwsExchange *exchange = &part->exchange;
    part->store = store;
    part->object = object;
    part->got = 0;
    part->started = part->ended = false;
    TRY(aws_exchange_init(exchange, store->client, call, err));
    part->initialised = true;
    TRY(s3_address(store, arena, object->key, false, exchange, err));
    int n = text_format(part->range, sizeof part->range, "bytes=%" PRIu64 "-%" PRIu64, part->begin,
                        part->begin + part->size - 1);
    part->headers[0] = (HttpHeader){STR("range"), {part->range, (size_t)n}};
    part->headers[1] = (HttpHeader){STR("if-match"), str_from(object->etag)};
    exchange->headers = part->headers;
    exchange->nheaders = object->etag ? 2 : 1;
    exchange->http.method = "GET";
    exchange->http.max_body = part->size + BODY_SPARE; /* part_body says it better */
    exchange->http.on_body = part_body;
    exchange->http.on_restart = part_restart;
    TRY(http_start(session, &exchange->http, err));
    part->started = true;
    return TRIB_OK;
}

void s3_part_end(HttpSession *session, S3Part *part) {
    if (!part->initialised) return;
    if (part->started && !part->ended) http_abort(session, &part->exchange.http);
    aws_exchange_clear(&part->exchange);
    part->initialised = part->started = false;
}
