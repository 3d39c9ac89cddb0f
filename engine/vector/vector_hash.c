/*
 * vector_hash.c - hashes of key columns.
 *
 * Fixed-width values go through an integer mixer, text over 12 bytes through XXH3 with the process's
 * seed, shorter text as its two 8-byte words. Values that are equal in the sense of grouping hash
 * alike: -0 and 0, all NaN, zoned instants of one moment, maps in any order of entries. Dictionaries
 * hash each entry once if they have no more entries than the batch has rows. No memory is allocated.
 */
#include "engine/base/map.h"
#include "engine/vector/hash.h"
#include "engine/vector/vector.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ENTRIES_ON_STACK 2048

static inline uint64_t hash_int(int64_t value, uint64_t seed) {
    return hash_mix((uint64_t)value ^ seed);
}

static inline uint64_t hash_wide(Int128 value, uint64_t seed) {
    return hash_combine(hash_mix((uint64_t)value ^ seed), (uint64_t)(value >> 64));
}

static inline uint64_t hash_double(double value, uint64_t seed) {
    uint64_t bits = 0;
    if (value != value) {
        bits = UINT64_C(0x7ff8000000000000);
    } else if (value != 0) { /* -0 hashes as 0 */
        memcpy(&bits, &value, sizeof(bits));
    }
    return hash_mix(bits ^ seed);
}

static inline uint64_t hash_string(const StrView *s, uint64_t seed) {
    if (s->len > STRVIEW_INLINE) return XXH3_64bits_withSeed(s->ptr, s->len, seed);
    uint64_t words[2];
    memcpy(words, s, sizeof(words));
    return hash_combine(words[0] ^ seed, words[1]);
}

static inline uint64_t hash_pair(int64_t a, int64_t b, uint64_t seed) {
    return hash_combine(hash_mix((uint64_t)a ^ seed), (uint64_t)b);
}

static inline uint64_t hash_uuid(const Uuid *u, uint64_t seed) {
    int64_t words[2];
    memcpy(words, u, sizeof(words));
    return hash_pair(words[0], words[1], seed);
}

static inline uint64_t hash_timetz(const TimeTz *t, uint64_t seed) {
    return hash_int(t->ns - (int64_t)t->offset * INT64_C(1000000000), seed);
}

static uint64_t element_hash(const Vector *self, uint32_t position, uint64_t seed);

static uint64_t list_hash(const Vector *self, uint32_t position, uint64_t seed) {
    ListEntry entry = ((const ListEntry *)self->data)[position];
    uint64_t hash = hash_int(entry.length, seed), sum = 0;
    for (uint32_t i = entry.offset; i < entry.offset + entry.length; i++) {
        uint64_t element = element_hash(&self->children[0], i, seed);
        if (self->nchildren == 1) {
            hash = hash_combine(hash, element);
        } else { /* a map: the order of its entries does not matter */
            sum += hash_combine(element, element_hash(&self->children[1], i, seed));
        }
    }
    return self->nchildren == 1 ? hash : hash_combine(hash, sum);
}

static uint64_t element_hash(const Vector *self, uint32_t position, uint64_t seed) {
    if (vector_is_null(self, position)) return HASH_NULL;
    self = vector_resolve(self, &position);
    const void *data = self->data;
    switch (self->physical) {
    case PHYS_BOOL:
    case PHYS_INT8: return hash_int(((const int8_t *)data)[position], seed);
    case PHYS_INT16: return hash_int(((const int16_t *)data)[position], seed);
    case PHYS_INT32: return hash_int(((const int32_t *)data)[position], seed);
    case PHYS_INT64: return hash_int(((const int64_t *)data)[position], seed);
    case PHYS_INT128: return hash_wide(((const Int128 *)data)[position], seed);
    case PHYS_FLOAT: return hash_double((double)((const float *)data)[position], seed);
    case PHYS_DOUBLE: return hash_double(((const double *)data)[position], seed);
    case PHYS_STRING: return hash_string((const StrView *)data + position, seed);
    case PHYS_INSTANT: {
        const Instant *t = (const Instant *)data + position;
        return hash_pair(t->us, t->ns, seed);
    }
    case PHYS_ZONED: {
        const ZonedInstant *t = (const ZonedInstant *)data + position;
        return hash_pair(t->us, t->ns, seed);
    }
    case PHYS_TIMETZ: return hash_timetz((const TimeTz *)data + position, seed);
    case PHYS_UUID: return hash_uuid((const Uuid *)data + position, seed);
    case PHYS_LIST: return list_hash(self, position, seed);
    default: break;
    }
    uint64_t hash = hash_int(self->nchildren, seed);
    for (uint32_t c = 0; c < self->nchildren; c++) {
        hash = hash_combine(hash, element_hash(&self->children[c], position, seed));
    }
    return hash;
}

/* hashes[i] = the hash of row i of the selection, or mixed into what stands there. The loops
 * without choices come first. */
#define HASH_LOOP(HASH)                                                        \
    do {                                                                       \
        if (selection == NULL && validity == NULL) {                           \
            if (combine) {                                                     \
                for (uint32_t row = 0; row < count; row++)                     \
                    hashes[row] = hash_combine(hashes[row], HASH);             \
            } else {                                                           \
                for (uint32_t row = 0; row < count; row++) hashes[row] = HASH; \
            }                                                                  \
            break;                                                             \
        }                                                                      \
        for (uint32_t i = 0; i < count; i++) {                                 \
            uint32_t row = selection != NULL ? selection[i] : i;               \
            bool null = validity != NULL && !bitmap_get(validity, row);        \
            uint64_t h = null ? HASH_NULL : (HASH);                            \
            hashes[i] = combine ? hash_combine(hashes[i], h) : h;              \
        }                                                                      \
    } while (0)

#define HASH_CASE(PHYS, T, CALL)    \
    case PHYS: {                    \
        const T *data = self->data; \
        HASH_LOOP(CALL);            \
        return;                     \
    }

static void flat_hash(const Vector *self, const uint16_t *selection, uint32_t count, bool combine,
                      uint64_t *restrict hashes) {
    const uint64_t *validity = self->validity;
    uint64_t seed = hash_seed();
    switch (self->physical) {
        HASH_CASE(PHYS_BOOL, int8_t, hash_int(data[row], seed))
        HASH_CASE(PHYS_INT8, int8_t, hash_int(data[row], seed))
        HASH_CASE(PHYS_INT16, int16_t, hash_int(data[row], seed))
        HASH_CASE(PHYS_INT32, int32_t, hash_int(data[row], seed))
        HASH_CASE(PHYS_INT64, int64_t, hash_int(data[row], seed))
        HASH_CASE(PHYS_INT128, Int128, hash_wide(data[row], seed))
        HASH_CASE(PHYS_FLOAT, float, hash_double((double)data[row], seed))
        HASH_CASE(PHYS_DOUBLE, double, hash_double(data[row], seed))
        HASH_CASE(PHYS_STRING, StrView, hash_string(&data[row], seed))
        HASH_CASE(PHYS_INSTANT, Instant, hash_pair(data[row].us, data[row].ns, seed))
        HASH_CASE(PHYS_ZONED, ZonedInstant, hash_pair(data[row].us, data[row].ns, seed))
        HASH_CASE(PHYS_TIMETZ, TimeTz, hash_timetz(&data[row], seed))
        HASH_CASE(PHYS_UUID, Uuid, hash_uuid(&data[row], seed))
    default: HASH_LOOP(element_hash(self, row, seed));
    }
}

static void dictionary_hash(const Vector *self, const uint16_t *selection, uint32_t count,
                            bool combine, uint64_t *hashes) {
    uint64_t entry_hashes[ENTRIES_ON_STACK];
    const uint64_t *validity = self->validity;
    if (self->entries > count || self->entries > ENTRIES_ON_STACK ||
        self->children->form != VECTOR_FLAT) {
        uint64_t seed = hash_seed();
        HASH_LOOP(element_hash(self->children, self->indices[row], seed));
        return;
    }
    flat_hash(self->children, NULL, self->entries, false, entry_hashes);
    HASH_LOOP(entry_hashes[self->indices[row]]);
}

void vector_hash(const Vector *self, const uint16_t *selection, uint32_t count, bool combine,
                 uint64_t *hashes) {
    if (self->form == VECTOR_FLAT) {
        flat_hash(self, selection, count, combine, hashes);
        return;
    }
    if (self->form == VECTOR_DICTIONARY) {
        dictionary_hash(self, selection, count, combine, hashes);
        return;
    }
    uint64_t hash = element_hash(self, 0, hash_seed());
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = combine ? hash_combine(hashes[i], hash) : hash;
    }
}
