/*
 * hash_table.h - open addressing over rows: which row has these keys?
 *
 * A slot is 8 bytes: the salt (upper 16 bits of the hash) and the address of a row (48 bits); 0 =
 * empty. Linear probing from the hash's low bits; at most half of the slots are taken. Rows carry
 * their hash in front, so that a table grows without looking at keys. A batch is looked up in
 * rounds: walk the slots of all rows by salt, then compare the candidates column by column, then go
 * on with those that differed.
 *
 * A GroupTable has one user; a JoinTable is immutable once built.
 */
#ifndef TRIB_EXEC_HASH_TABLE_H
#define TRIB_EXEC_HASH_TABLE_H

#include "engine/exec/row_store.h"

#define SLOT_SALT    (UINT64_C(0xffff) << 48)
#define SLOT_POINTER (~SLOT_SALT)

/* Arrays for looking up one batch; one per worker. */
typedef struct ProbeScratch {
    uint64_t *hashes; /* of row i */
    /* of row i in the key columns; set by the user, identity[] if they are rows */
    const uint16_t *positions;
    uint16_t *identity;
    uint8_t **rows;  /* result: the row with equal keys; joins: NULL = none */
    uint64_t *slots; /* where row i was found (grouping), or stands (probing) */
    uint16_t *list, *fresh, *candidates, *rejected;
    uint16_t *fresh_positions;
    uint64_t *fresh_hashes;
    uint8_t **fresh_rows;
} ProbeScratch;
Status probe_scratch_new(Arena *arena, ProbeScratch *out, Error *err) WARN_UNUSED;

/* ---------------------------------------------------------------- grouping */

typedef struct GroupTable {
    Grant *grant;
    Block block;
    uint64_t *slots;
    uint64_t mask, count;
} GroupTable;

/* An empty table of 2^bits slots. force as in block_new; slots stays NULL when refused. */
Status group_table_init(GroupTable *self, Grant *grant, uint32_t bits, bool force,
                        Error *err) WARN_UNUSED;
void group_table_clear(GroupTable *self); /* frees the memory */
void group_table_empty(GroupTable *self); /* forgets the rows */
/* Room for `more` rows. *refused: the grant does not allow it (nothing changed). */
Status group_table_reserve(GroupTable *self, uint64_t more, bool force, bool *refused,
                           Error *err) WARN_UNUSED;
/* How many slots it will have when it grows. */
uint64_t group_table_grown(const GroupTable *self);
/* Enters a row that equals no other one in the table. Room must have been reserved. */
void group_table_put(GroupTable *self, uint8_t *row);

/* Makes rows for the `count` indexes in fresh[]: fills in rows[index] of the scratch. */
typedef Status (*GroupMake)(void *context, const uint16_t *fresh, uint32_t count, Error *err);

typedef struct GroupKeys {
    const RowLayout *layout;
    uint32_t count; /* the first columns of the layout */
    const FlatColumn *columns;
    const bool *may_null; /* by column: row or batch may be NULL */
} GroupKeys;

/* Finds or makes the row of each of the `count` rows in scratch->hashes/positions:
 * scratch->rows. Room must have been reserved. */
Status group_table_find(GroupTable *self, const GroupKeys *keys, ProbeScratch *scratch,
                        uint32_t count, GroupMake make, void *context, Error *err) WARN_UNUSED;

/* ---------------------------------------------------------------- joining */

/*
 * Slots of one partition of the build side. A slot leads to the first of the rows with equal keys;
 * their hash, no longer needed, becomes the address of the next one.
 */
typedef struct JoinTable {
    uint64_t *slots; /* NULL: the partition is empty or elsewhere */
    uint64_t mask;
} JoinTable;

static inline uint8_t *row_next(const uint8_t *row) {
    uint8_t *next;
    memcpy(&next, row, sizeof next);
    return next;
}
static inline void row_set_next(uint8_t *row, const uint8_t *next) {
    memcpy(row, &next, sizeof next);
}

/* log2 of the slots for that many rows. */
uint32_t join_table_bits(uint64_t rows);
/* Inserts `count` rows (<= BATCH_ROWS), which must not be NULL in any key; overwrites their
 * hashes. *chained is set when two rows have equal keys. */
void join_table_insert(JoinTable *self, const RowLayout *layout, uint32_t nkeys,
                       const FlatColumn *keys, const bool *may_null, ProbeScratch *scratch,
                       uint8_t *const *source, uint32_t count, bool *chained);
/*
 * Looks up the `count` candidates list[] (indexes; consumed): scratch->rows[i] = first row of the
 * chain or NULL; returns how many have one. The table of a hash is
 * tables[(hash >> shift) & partition_mask].
 */
uint32_t join_table_probe(const JoinTable *tables, uint32_t shift, uint32_t partition_mask,
                          const RowLayout *layout, uint32_t nkeys, const FlatColumn *keys,
                          const bool *may_null, ProbeScratch *scratch, uint16_t *list,
                          uint32_t count);

#endif
