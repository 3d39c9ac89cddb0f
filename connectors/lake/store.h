/*
 * store.h - where files lie: a local folder, S3.
 *
 * A Store lists objects and opens byte ranges of them. Keys name objects within their store: an absolute
 * path, or "bucket/key". Any thread may use a Store; a StoreReader belongs to one thread.
 *
 * An object carries what tells one version of it from another (size, time of change, inode, ETag). A
 * reader opened on it fails as soon as it sees another version: rows of two versions never mix.
 */
#ifndef TRIB_LAKE_STORE_H
#define TRIB_LAKE_STORE_H

#include "connectors/support/call.h"
#include "engine/base/text.h"

typedef struct Store Store;
typedef struct StoreReader StoreReader;

typedef struct StoreObject {
    const char *key;
    uint64_t size;
    int64_t modified_ns;    /* local: mtime; S3: unused */
    uint64_t inode, device; /* local */
    const char *etag;       /* S3; NULL otherwise */
} StoreObject;

/* What a listing is handed to, in the order of the keys' bytes. Keys are valid during the call. */
typedef struct StoreVisit {
    void *self;
    Status (*object)(void *self, const StoreObject *object, Error *err);
    /* A folder, `key` without a slash at its end; *enter = list what is in it too. A store without
     * folders does not call it for deep lists. */
    Status (*folder)(void *self, const char *key, bool *enter, Error *err);
} StoreVisit;

/* Counted by readers and listings; one thread. */
typedef struct StoreStats {
    uint64_t bytes, requests, retries;
    int64_t wait_ns;
} StoreStats;

typedef struct StoreRange {
    const StoreObject *object;
    uint64_t begin, end; /* bytes of the object */
    StoreStats *stats;   /* lives as long as the reader */
    bool peek;           /* most likely only the beginning will be read */
} StoreRange;

struct Store {
    const char *scheme; /* "" or "s3://": what stands before keys in what users see */
    /* Lists what lies in the folder `key` (no slash at its end), and `deep` below it. NOT_FOUND if there
     * is no such folder. */
    Status (*list)(Store *self, TribCall *call, const char *key, bool deep, const StoreVisit *visit,
                   StoreStats *stats, Error *err);
    /* What is known of one object; NOT_FOUND. *out->key is `key`, other strings live in the arena. */
    Status (*stat)(Store *self, TribCall *call, Arena *arena, const char *key, StoreObject *out,
                   StoreStats *stats, Error *err);
    /* `call` and range->object stay valid until the reader is closed. */
    Status (*open)(Store *self, TribCall *call, const StoreRange *range, StoreReader **out,
                   Error *err);
    void (*free)(Store *self);
    bool remote; /* a byte costs a network's transfer */
    /* Fetches all ranges at once and keeps them for readers that begin within them, for a while: a hint,
     * but errors are told. They all count on the first one's stats. NULL = nothing would be gained. */
    Status (*ahead)(Store *self, TribCall *call, const StoreRange *ranges, uint32_t count,
                    Error *err);
};

struct StoreReader {
    /* Fills in up to `size` bytes; *got is 0 only at the end of the range. */
    Status (*read)(StoreReader *self, void *out, size_t size, size_t *got, Error *err);
    void (*close)(StoreReader *self); /* frees it */
};

/* The store of local folders: one per process, never freed. */
Store *store_local(void);

/* An error about an object: "what KEY ...", with the scheme. */
Status store_changed(const Store *self, const StoreObject *object, const char *how, Error *err);

#endif
