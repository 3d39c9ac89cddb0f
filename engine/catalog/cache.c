/*
 * cache.c - descriptions of tables and lists of names, per process, in front of the metastore.
 *
 * One MetaCache per identity (type and options of a catalog), shared by all sessions that have such a
 * catalog. Items are immutable and reference-counted. Another process's invalidation shows as a new
 * version in the metastore and empties the cache. The registry and each cache have a mutex; neither is
 * held during I/O with a source, and the metastore is asked outside them.
 */
#include "engine/base/map.h"
#include "engine/catalog/internal.h"

#define MOST_ITEMS 20000

struct MetaCache {
    MetaCache *next; /* guarded by the registry's lock, like references */
    uint32_t references;
    uint32_t stamp;
    Str identity;
    pthread_mutex_t lock; /* guards what follows */
    Arena *arena;         /* of the map; thrown away with it */
    Map items;
    uint64_t generation; /* counts what was thrown away */
    bool versioned;
    uint64_t changes; /* of the metastore, when `version` was read */
    int64_t version;
};

static struct {
    pthread_mutex_t lock;
    _Atomic uint32_t stamp;
    MetaCache *caches;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A forked child begins anew: another thread may have held a lock. */
static void registry_enter(void) {
    if (os_lock_forked(&registry.lock, &registry.stamp)) registry.caches = NULL;
}

CachedItem *item_new(void) {
    CachedItem *self = heap_alloc(sizeof *self);
    if (!self) return NULL;
    atomic_init(&self->references, 1);
    self->arena = arena_new(NULL);
    self->fetched_us = os_realtime_us();
    if (self->arena) return self;
    heap_free(self);
    return NULL;
}

void item_release(CachedItem *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    arena_free(self->arena);
    heap_free(self);
}

static void item_retain(CachedItem *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

/* ---------------------------------------------------------------- life */

static bool items_begin(MetaCache *self) {
    self->arena = arena_new(NULL);
    if (!self->arena) return false;
    map_init(&self->items, self->arena, false);
    return true;
}

/* Under the lock, or without anybody else. */
static void items_end(MetaCache *self) {
    for (uint32_t i = 0; i < self->items.count; i++) item_release(self->items.entries[i].value);
    arena_free(self->arena);
    self->arena = NULL;
    self->items.count = 0;
}

static MetaCache *cache_new(Str identity) {
    MetaCache *self = heap_alloc(sizeof *self + identity.len);
    if (!self) return NULL;
    self->references = 1;
    self->stamp = os_pid_stamp();
    self->identity = (Str){(char *)(self + 1), identity.len};
    memcpy(self + 1, identity.data, identity.len);
    pthread_mutex_init(&self->lock, NULL);
    if (items_begin(self)) return self;
    heap_free(self);
    return NULL;
}

MetaCache *cache_open(Str identity) {
    registry_enter();
    MetaCache *found = registry.caches;
    while (found && !str_equal(found->identity, identity)) found = found->next;
    if (found) {
        found->references++;
    } else if ((found = cache_new(identity)) != NULL) {
        found->next = registry.caches;
        registry.caches = found;
    }
    pthread_mutex_unlock(&registry.lock);
    return found;
}

void cache_release(MetaCache *self) {
    if (!self || self->stamp != os_pid_stamp()) return;
    registry_enter();
    bool last = --self->references == 0;
    if (last) {
        MetaCache **place = &registry.caches;
        while (*place && *place != self) place = &(*place)->next;
        if (*place) *place = self->next;
    }
    pthread_mutex_unlock(&registry.lock);
    if (!last) return;
    items_end(self);
    pthread_mutex_destroy(&self->lock);
    heap_free(self);
}

/* ---------------------------------------------------------------- items */

/* Names hold no zero bytes, so that one separates them. */
static Str key_of(Buf *key, char kind, const char *schema, const char *name) {
    buf_char(key, kind);
    buf_text(key, schema ? schema : "");
    buf_char(key, '\0');
    buf_text(key, name ? name : "");
    return buf_view(key);
}

static void cache_empty(MetaCache *self) {
    self->generation++;
    items_end(self);
    (void)items_begin(self);
}

/* Empties the cache if another process has invalidated the catalog. */
static void cache_catch_up(MetaCache *self, Metastore *store) {
    uint64_t changes = metastore_changes(store);
    pthread_mutex_lock(&self->lock);
    bool known = self->versioned && self->changes == changes;
    pthread_mutex_unlock(&self->lock);
    if (known) return;
    int64_t version = metastore_version(store, self->identity);
    pthread_mutex_lock(&self->lock);
    if (self->versioned && self->version != version) cache_empty(self);
    self->versioned = true;
    self->changes = changes;
    self->version = version;
    pthread_mutex_unlock(&self->lock);
}

static CachedItem *cache_find(MetaCache *self, Str key, int64_t ttl_us) {
    pthread_mutex_lock(&self->lock);
    CachedItem *item = self->arena ? map_get(&self->items, key) : NULL;
    int64_t age = item ? os_realtime_us() - item->fetched_us : 0;
    if (item && (age < 0 || age > ttl_us)) item = NULL;
    if (item) item_retain(item);
    pthread_mutex_unlock(&self->lock);
    return item;
}

static uint64_t cache_generation(MetaCache *self) {
    pthread_mutex_lock(&self->lock);
    uint64_t generation = self->generation;
    pthread_mutex_unlock(&self->lock);
    return generation;
}

/* Keeps a reference of its own, if nothing was thrown away since `generation`. */
static void cache_keep(MetaCache *self, uint64_t generation, Str key, CachedItem *item) {
    pthread_mutex_lock(&self->lock);
    bool current = self->generation == generation;
    if (current && self->items.count >= MOST_ITEMS) cache_empty(self);
    if (current && self->arena) {
        CachedItem *old = map_get(&self->items, key);
        if (map_put(&self->items, key, item)) {
            item_retain(item);
            item_release(old);
        }
    }
    pthread_mutex_unlock(&self->lock);
}

static CachedItem *item_load(MetaCache *self, Metastore *store, char kind, const char *schema,
                             const char *name, int64_t ttl_us) {
    CachedItem *item = item_new();
    Str data;
    if (!item) return NULL;
    bool fine = metastore_get(store, self->identity, kind, schema, name, ttl_us, item->arena, &data,
                              &item->fetched_us) &&
                (kind == 't' ? table_decode(item->arena, data, &item->table)
                             : names_decode(item->arena, data, &item->names));
    if (fine) return item;
    item_release(item);
    return NULL;
}

CachedItem *cache_get(MetaCache *self, Metastore *store, char kind, const char *schema,
                      const char *name, int64_t ttl_us) {
    if (ttl_us <= 0) return NULL;
    if (store) cache_catch_up(self, store);
    Buf key;
    buf_init(&key, NULL, 1 << 20);
    Str wanted = key_of(&key, kind, schema, name);
    CachedItem *item = key.failed ? NULL : cache_find(self, wanted, ttl_us);
    uint64_t generation = cache_generation(self);
    if (!item && store && !key.failed &&
        (item = item_load(self, store, kind, schema, name, ttl_us)) != NULL)
        cache_keep(self, generation, wanted, item);
    buf_clear(&key);
    return item;
}

CacheMark cache_mark(MetaCache *self, Metastore *store) {
    CacheMark mark = {.generation = cache_generation(self)};
    if (store) mark.version = metastore_version(store, self->identity);
    return mark;
}

void cache_put(MetaCache *self, Metastore *store, CacheMark mark, char kind, const char *schema,
               const char *name, CachedItem *item) {
    Buf key, data;
    Error ignored;
    buf_init(&key, NULL, 1 << 20);
    Str wanted = key_of(&key, kind, schema, name);
    if (!key.failed) cache_keep(self, mark.generation, wanted, item);
    buf_clear(&key);
    if (!store) return;
    buf_init(&data, NULL, (size_t)64 << 20);
    Status status = kind == 't' ? table_encode(&data, &item->table, &ignored)
                                : names_encode(&data, &item->names, &ignored);
    if (status == TRIB_OK)
        metastore_put(store, self->identity, kind, schema, name, buf_view(&data), item->fetched_us,
                      mark.version);
    buf_clear(&data);
}

void cache_invalidate(MetaCache *self, Metastore *store, const char *schema, const char *name) {
    (void)schema;
    (void)name;
    /* The process's own cache is emptied as a whole: lists and other spellings may know the table. */
    pthread_mutex_lock(&self->lock);
    cache_empty(self);
    self->versioned = false;
    pthread_mutex_unlock(&self->lock);
    if (store) metastore_invalidate(store, self->identity, schema, name);
}
