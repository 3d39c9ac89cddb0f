/*
 * store_s3.h - objects in S3 and servers that speak its protocol.
 */
#ifndef TRIB_LAKE_STORE_S3_H
#define TRIB_LAKE_STORE_S3_H

#include <pthread.h>

#include "connectors/lake/store.h"
#include "connectors/support/aws.h"

typedef enum { S3_STYLE_AUTO, S3_STYLE_PATH, S3_STYLE_VIRTUAL } S3Style;

/* From a catalog's options (AWS_OPTIONS and url_style). `catalog` outlives the store. No I/O. */
Status store_s3_new(const Options *options, const TribHost *host, const char *catalog, Store **out,
                    Error *err) WARN_UNUSED;

/* s3_list.c: one page of ListObjectsV2, parsed. */
typedef struct S3Entry {
    Str key; /* of an object, or of a common prefix (with its slash) */
    uint64_t size;
    Str etag;
    bool prefix;
} S3Entry;

typedef struct S3Page {
    S3Entry *entries;
    uint32_t count, room;
    Str token; /* of the next page; data == NULL: this was the last one */
} S3Page;

/* Texts live in the arena. Entries are sorted by key. Errors: ERR_SOURCE saying what is wrong. */
Status s3_page_parse(Arena *arena, Str document, S3Page *out, Error *err) WARN_UNUSED;

/* s3_request.c: what listing and reading share. */
typedef struct S3Store {
    Store base; /* first */
    Arena *arena;
    const TribHost *host;
    const char *catalog;
    AwsClient *client;
    S3Style style;
    pthread_mutex_t lock;   /* guards what follows: s3_ahead.c */
    struct S3Block *blocks; /* the oldest first */
    size_t kept;            /* bytes of them */
} S3Store;

/* Splits "bucket/key", and fills in endpoint and path of a request; texts live in the arena. */
Status s3_address(const S3Store *self, Arena *arena, const char *name, bool bucket_only,
                  AwsExchange *exchange, Error *err) WARN_UNUSED;
/* What a bad answer means: an error that names the object. */
Status s3_error(const S3Store *self, const AwsExchange *exchange, const StoreObject *object,
                const char *name, Error *err);
/* s3_list.c */
Status s3_list(Store *base, TribCall *call, const char *key, bool deep, const StoreVisit *visit,
               StoreStats *stats, Error *err);
/* s3_reader.c */
Status s3_open(Store *base, TribCall *call, const StoreRange *range, StoreReader **out, Error *err);

#endif
