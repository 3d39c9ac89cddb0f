/*
 * lookup.c - finding rows by a unique key.
 *
 * The wanted values are put into a row group of one row, so that hashing and comparing them is what it is
 * for rows of the table. All rows with the key are taken, whoever sees them; the scan looks at each.
 *
 * Threads: slots are read under the write lock. It is only tried: who holds it may hold it long, and reading
 * the table without the key is never wrong.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/store_internal.h"

typedef struct Search {
    const MemKey *key;
    const MemGroup *wanted;
    MemLookup *out;
    bool many;
} Search;

static bool slot_found(void *context, uint64_t id) {
    Search *self = context;
    MemHit hit;
    if (!version_find(self->out->version, id, &hit.group, &hit.row) ||
        !key_equal(self->key, self->wanted, 0, hit.group, hit.row))
        return true;
    self->many = self->out->nhits == LOOKUP_MOST;
    if (!self->many) self->out->hits[self->out->nhits++] = hit;
    return !self->many;
}

/* A unique key all columns of which have a value. */
static const MemKey *key_given(const MemTable *table, const TribValue *const *equal) {
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const MemKey *key = &table->keys[k];
        uint32_t given = 0;
        while (key->unique && given < key->ncolumns && equal[key->columns[given]]) given++;
        if (key->unique && given == key->ncolumns) return key;
    }
    return NULL;
}

/* One row: the values given, NULL elsewhere. */
static Status wanted_row(const MemTable *table, const TribValue *const *equal, MemGroup **out,
                         Error *err) {
    MemGroup *row;
    TRY(group_new(table->host, table->columns, table->ncolumns, &row, err));
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < table->ncolumns && status == TRIB_OK; i++) {
        Chunk *chunk = &row->columns[i]->chunk;
        status = equal[i] ? chunk_append_value(chunk, table->host, equal[i], 1, err)
                          : chunk_append_nulls(chunk, table->host, 1, err);
    }
    row->rows = 1;
    if (status == TRIB_OK) status = group_seal(row, false, err);
    if (status != TRIB_OK) {
        group_release(row);
        return status;
    }
    *out = row;
    return TRIB_OK;
}

Status table_lookup(MemTable *self, const MemTx *tx, const TribValue *const *equal, MemLookup *out,
                    Error *err) {
    *out = (MemLookup){0};
    const MemKey *key = key_given(self, equal);
    if (!key || !store_write_trylock()) {
        out->version = table_version(self, &out->commit);
        return TRIB_OK;
    }
    MemGroup *wanted = NULL;
    out->version = table_version(self, &out->commit);
    uint64_t commit = tx && tx->commit < out->commit ? tx->commit : out->commit;
    Status status = TRIB_OK;
    if (commit >= self->lost) status = wanted_row(self, equal, &wanted, err);
    if (wanted) {
        Search search = {.key = key, .wanted = wanted, .out = out};
        uint64_t hash;
        bool null;
        key_hash(key, wanted, 0, 1, &hash, &null);
        if (!null) key_find(key, hash, slot_found, &search);
        out->key = search.many ? NULL : key;
        group_release(wanted);
    }
    store_write_unlock();
    return status;
}
