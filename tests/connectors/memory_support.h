/*
 * memory_support.h - a catalog of tables in memory for tests of the store: rows in and out by the ABI.
 *
 * The table is (id bigint PRIMARY KEY, value bigint, note varchar), or the same without a key.
 */
#ifndef TRIB_TESTS_MEMORY_SUPPORT_H
#define TRIB_TESTS_MEMORY_SUPPORT_H

#include "tests/connectors/conform.h"

typedef struct MemoryRow {
    int64_t id, value;
    const char *note; /* NULL = NULL */
    uint64_t row_id;  /* of scans */
} MemoryRow;

typedef struct MemoryFixture {
    TestHost host;
    TestCall call;
    const TribConnector *connector;
    TribCatalog *catalog;
} MemoryFixture;

void memory_open(MemoryFixture *self, const char *catalog);
void memory_close(MemoryFixture *self);
/* `t` by default. */
TribStatus memory_create(MemoryFixture *self, TribTx *tx, const char *name, bool keyed,
                         TribError *err);
TribStatus memory_alter(MemoryFixture *self, TribTx *tx, TribDdl ddl, TribError *err);
/* The rows' description as the host has it; lives in the arena. */
TribTable *memory_describe(MemoryFixture *self, TribTx *tx, const char *name, Arena *arena,
                           TribError *err);
TribStatus memory_insert(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err);
/* By row_id; the value alone is set. */
TribStatus memory_update(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err);
TribStatus memory_delete(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err);
/* All rows that the transaction sees, in the arena; fails the test if the table cannot be read. */
MemoryRow *memory_scan(MemoryFixture *self, TribTx *tx, const char *name, Arena *arena,
                       uint32_t *count);
/* The same where a row with that id is all that matters (others may come along). */
MemoryRow *memory_find(MemoryFixture *self, TribTx *tx, const char *name, const int64_t *id,
                       Arena *arena, uint32_t *count);
TribTx *memory_begin(MemoryFixture *self);
void memory_end(MemoryFixture *self, TribTx *tx, bool commit);

#endif
