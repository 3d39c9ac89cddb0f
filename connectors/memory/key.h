/*
 * key.h - keys and indexes of tables in memory; a unique one is a hash table from key to row id.
 *
 * Open addressing with linear probing; a slot holds the whole hash, so that growing touches no rows and
 * nearly every look at a row is a hit. Rows with a NULL in the key have no slot. Slots of rows that were
 * deleted stay until a row with the same hash or the next growth takes their place.
 *
 * Threads: everything under the store's write lock. Memory is the host's.
 */
#ifndef TRIB_MEMORY_KEY_H
#define TRIB_MEMORY_KEY_H

#include "connectors/memory/group.h"
#include "engine/base/text.h"

#define KEY_BLOCK 256 /* rows hashed at a time, so that their slots are fetched together */

typedef struct KeySlot {
    uint64_t hash, id; /* id 0 = never used, UINT64_MAX = used before */
} KeySlot;

typedef struct MemKey {
    const char *name; /* NULL = none was given */
    bool primary, unique;
    bool index; /* made by CREATE INDEX */
    uint32_t ncolumns;
    const uint32_t *columns; /* of the table */
    const TribHost *host;
    KeySlot *slots;  /* unique keys only */
    uint64_t nslots; /* a power of two, or 0 */
    uint64_t used;   /* slots with an id other than 0 */
} MemKey;

/* What is to be said about the row behind a slot with the wanted hash. */
typedef enum KeyAnswer {
    KEY_OTHER, /* another key, or a row that does not count: the slot stays */
    KEY_STALE, /* the slot may be given to another row */
    KEY_TAKEN  /* the wanted key: it may not be given to another row */
} KeyAnswer;
typedef KeyAnswer KeyJudge(void *context, uint64_t id);

bool key_type_allowed(TribType type);
void key_clear(MemKey *self);
/* Hashes of rows [from, from + count), at most KEY_BLOCK; nulls[i] = the key has a NULL. */
void key_hash(const MemKey *self, const MemGroup *group, uint32_t from, uint32_t count,
              uint64_t *hashes, bool *nulls);
bool key_equal(const MemKey *self, const MemGroup *a, uint32_t row_a, const MemGroup *b,
               uint32_t row_b);
/* Makes room for `more` rows. alive: called for each slot when the table grows; NULL = all stay. */
Status key_reserve(MemKey *self, uint64_t more, bool (*alive)(void *context, uint64_t id),
                   void *context, Error *err) WARN_UNUSED;
void key_prefetch(const MemKey *self, uint64_t hash);
/* Gives the key to row `id`, unless the judge says KEY_TAKEN: false. There must be room. */
bool key_put(MemKey *self, uint64_t hash, uint64_t id, KeyJudge *judge, void *context);
void key_remove(MemKey *self, uint64_t hash, uint64_t id);
/* Calls back for every row with the hash until false is returned. */
void key_find(const MemKey *self, uint64_t hash, bool (*found)(void *context, uint64_t id),
              void *context);
/* "(5, 'abc')", for messages. */
void key_print(const MemKey *self, const MemGroup *group, uint32_t row, Buf *out);

#endif
