/*
 * map.c - the hash map of names, and the hash of the process.
 *
 * Open addressing with linear probing: slots hold entry index + 1, 0 = empty; at most half of them
 * are taken. Entries stay in the order of insertion; nothing is ever removed. Growing allocates
 * anew on the arena and leaves the old arrays to it, which sums up to at most twice the final size.
 *
 * The seed is random per process, so that no input chosen beforehand makes every key collide. It is
 * set once, without a lock.
 */
#define XXH_INLINE_ALL
#include <stdatomic.h>
#include <xxhash.h>

#include "engine/base/map.h"
#include "engine/base/os.h"

#define MAP_FIRST_SLOTS 16
#define FOLD_CHUNK      256

uint64_t hash_seed(void) {
    static _Atomic uint64_t seed;
    uint64_t value = atomic_load_explicit(&seed, memory_order_relaxed);
    if (value != 0) return value;
    uint64_t fresh = 0;
    /* Without a source of randomness the clock is what is left; collisions cost time, not
     * answers. */
    if (!os_random(&fresh, sizeof fresh)) fresh = (uint64_t)os_now_ns() * 0x9E3779B97F4A7C15u;
    fresh |= 1;
    return atomic_compare_exchange_strong(&seed, &value, fresh) ? fresh : value;
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed) {
    return XXH3_64bits_withSeed(data, len, seed);
}

static uint64_t key_hash(const Map *self, Str key) {
    uint64_t hash = hash_seed();
    if (!self->fold) return hash_bytes(key.data, key.len, hash);
    char folded[FOLD_CHUNK];
    size_t at = 0;
    do {
        size_t length = key.len - at < FOLD_CHUNK ? key.len - at : FOLD_CHUNK;
        for (size_t i = 0; i < length; i++) {
            char c = key.data[at + i];
            folded[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        }
        hash = hash_bytes(folded, length, hash);
        at += length;
    } while (at < key.len);
    return hash;
}

static bool key_equal(const Map *self, Str a, Str b) {
    return self->fold ? str_equal_fold(a, b) : str_equal(a, b);
}

void map_init(Map *self, Arena *arena, bool fold) {
    *self = (Map){.arena = arena, .fold = fold};
}

/* The entry of the key, or NULL; *slot is where it is or belongs. */
static MapEntry *map_find(const Map *self, Str key, uint64_t hash, uint32_t *slot) {
    uint32_t mask = self->capacity - 1;
    uint32_t at = (uint32_t)hash & mask;
    while (self->slots[at] != 0) {
        MapEntry *entry = &self->entries[self->slots[at] - 1];
        if (entry->hash == hash && key_equal(self, entry->key, key)) {
            *slot = at;
            return entry;
        }
        at = (at + 1) & mask;
    }
    *slot = at;
    return NULL;
}

void *map_get(const Map *self, Str key) {
    uint32_t slot;
    if (self->count == 0) return NULL;
    MapEntry *entry = map_find(self, key, key_hash(self, key), &slot);
    return entry ? entry->value : NULL;
}

static bool map_grow(Map *self) {
    uint32_t capacity = self->capacity ? self->capacity * 2 : MAP_FIRST_SLOTS;
    if (capacity == 0 || capacity > (uint32_t)1 << 31) return false;
    uint32_t *slots = ARENA_ARRAY(self->arena, uint32_t, capacity);
    MapEntry *entries = ARENA_ARRAY(self->arena, MapEntry, capacity / 2);
    if (!slots || !entries) return false;
    if (self->count) memcpy(entries, self->entries, self->count * sizeof *entries);
    for (uint32_t i = 0; i < self->count; i++) {
        uint32_t at = (uint32_t)entries[i].hash & (capacity - 1);
        while (slots[at] != 0) at = (at + 1) & (capacity - 1);
        slots[at] = i + 1;
    }
    self->slots = slots;
    self->entries = entries;
    self->capacity = capacity;
    return true;
}

bool map_put(Map *self, Str key, void *value) {
    uint64_t hash = key_hash(self, key);
    uint32_t slot = 0;
    if (self->capacity) {
        MapEntry *entry = map_find(self, key, hash, &slot);
        if (entry) {
            entry->value = value;
            return true;
        }
    }
    char *copy = str_dup(self->arena, key);
    if (!copy) return false;
    if (self->count >= self->capacity / 2) {
        if (!map_grow(self)) return false;
        map_find(self, key, hash, &slot);
    }
    self->entries[self->count] = (MapEntry){{copy, key.len}, value, hash};
    self->slots[slot] = ++self->count;
    return true;
}
