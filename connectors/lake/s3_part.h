/*
 * s3_part.h - one ranged GET of an object; and the blocks of objects that were fetched ahead.
 *
 *   part.begin, .size, .data = what is wanted and where it goes; s3_part_start;
 *   http_wait until the session returns its exchange: part.ended = true; s3_part_check; s3_part_end.
 */
#ifndef TRIB_LAKE_S3_PART_H
#define TRIB_LAKE_S3_PART_H

#include "connectors/lake/store_s3.h"

typedef struct S3Part {
    AwsExchange exchange; /* first: hooks find the part */
    S3Store *store;
    const StoreObject *object;
    HttpHeader headers[2];
    char range[64];
    char *data; /* `room` bytes */
    size_t room;
    size_t size, got; /* asked for, received */
    uint64_t begin;
    bool initialised, started, ended;
} S3Part;

/* Puts the request under way; texts live in the arena. `object` and `call` stay valid until s3_part_end. */
Status s3_part_start(S3Part *part, S3Store *store, const StoreObject *object, HttpSession *session,
                     TribCall *call, Arena *arena, Error *err) WARN_UNUSED;
/* Is the answer what was asked for? */
Status s3_part_check(const S3Part *part, Error *err) WARN_UNUSED;
/* Safe on a zeroed one, and before the answer came. The buffer stays the caller's. */
void s3_part_end(HttpSession *session, S3Part *part);
S3Part *s3_part_of(HttpExchange *http);

/* Bytes of an object, as they were when it had that ETag. Immutable. */
typedef struct S3Block {
    struct S3Block *next;
    uint32_t refs; /* guarded by the store's lock */
    char *key, *etag;
    uint64_t begin;
    size_t size;
    char *data;
} S3Block;

/* s3_ahead.c. The block that holds the beginning of a range, if one does; the store forgets it once
 * somebody took it to read on (range->peek false). */
S3Block *s3_block_take(S3Store *store, const StoreRange *range);
void s3_block_drop(S3Store *store, S3Block *block); /* NULL is allowed */
Status s3_ahead(Store *base, TribCall *call, const StoreRange *ranges, uint32_t count, Error *err);
void s3_ahead_clear(S3Store *store);

#endif
