/*
 * map.h - a hash map from byte strings to pointers, insertion-ordered, on an arena.
 * One thread at a time. Keys are copied. Hash: XXH3 with the process seed.
 */
#ifndef TRIB_BASE_MAP_H
#define TRIB_BASE_MAP_H

#include "engine/base/text.h"

typedef struct Map {
    Arena *arena;
    struct MapEntry *entries; /* in insertion order */
    uint32_t *slots;
    uint32_t count, capacity;
    bool fold; /* keys match without regard to ASCII case */
} Map;

typedef struct MapEntry {
    Str key;
    void *value;
    uint64_t hash;
} MapEntry;

void map_init(Map *self, Arena *arena, bool fold);
void *map_get(const Map *self, Str key);
/* Replaces an existing value; false when memory is exhausted. */
bool map_put(Map *self, Str key, void *value);

/* The process-wide seed of every hash, random at first use. */
uint64_t hash_seed(void);
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

#endif
