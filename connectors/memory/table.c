/*
 * table.c - tables: definition, versions, rows taken over by a changed table, getting rid of dead rows.
 *
 * Dead rows are those that no snapshot sees, now or later. Once they are a quarter of the table, groups that
 * hold many are copied without them; if older snapshots still need too many, the table waits until such a
 * snapshot has ended. Scans keep the version that they began with.
 *
 * Threads: store.h. A table's definition is immutable once others see it.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/store_internal.h"
#include "connectors/support/call.h"

#define SWEEP_LEAST 256
#define SMALL_GROUP 1024

/* ---------------------------------------------------------------- definition */

static Status type_keep(Arena *arena, TribType type, uint32_t depth, TribType *out, Error *err) {
    *out = type;
    if (!type.fields) return TRIB_OK;
    if (depth > 64)
        return error_set(err, ERR_LIMIT, "a column's type is nested more than 64 levels deep");
    uint32_t count = type.fields->count;
    TribTypeFields *fields;
    TRY_ALLOC(fields, arena_alloc(arena, sizeof *fields + count * sizeof(TribTypeField)), err);
    fields->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = type.fields->field[i].name;
        if (name) TRY_ALLOC(fields->field[i].name, arena_strdup(arena, name), err);
        TRY(type_keep(arena, type.fields->field[i].type, depth + 1, &fields->field[i].type, err));
    }
    out->fields = fields;
    return TRIB_OK;
}

static Status text_keep(Arena *arena, const char *text, const char **out, Error *err) {
    *out = NULL;
    if (text) TRY_ALLOC(*out, arena_strdup(arena, text), err);
    return TRIB_OK;
}

/* Hidden columns are not part of a definition: the connector has its own (the row's id). */
static Status columns_keep(MemTable *self, const TribTable *definition, Error *err) {
    TRY_ALLOC(self->columns, ARENA_ARRAY(self->arena, TribColumn, definition->ncolumns + 1), err);
    for (uint32_t i = 0; i < definition->ncolumns; i++) {
        const TribColumn *from = &definition->columns[i];
        if (from->hidden) continue;
        TribColumn *to = &self->columns[self->ncolumns++];
        *to = (TribColumn){.nullable = from->nullable, .distinct = -1, .null_fraction = -1};
        TRY(text_keep(self->arena, from->name, &to->name, err));
        TRY(text_keep(self->arena, from->comment, &to->comment, err));
        TRY(text_keep(self->arena, from->default_sql, &to->default_sql, err));
        TRY(type_keep(self->arena, from->type, 0, &to->type, err));
        /* Refuses what cannot be stored before any row comes. */
        Chunk probe;
        Status status = chunk_init(&probe, self->host, to->type, 0, err);
        chunk_clear(&probe, self->host);
        if (status != TRIB_OK) {
            (void)error_detail(err, "column: %s", from->name);
            return status;
        }
    }
    return TRIB_OK;
}

static Status key_check(const MemTable *self, const TribKey *key, Error *err) {
    for (uint32_t i = 0; i < key->ncolumns; i++) {
        if (key->columns[i] >= self->ncolumns)
            return error_set(err, ERR_COLUMN_NOT_FOUND,
                             "a key of %s.%s has a column that is not there", self->schema,
                             self->name);
        if (!key_type_allowed(self->columns[key->columns[i]].type))
            return error_set(err, ERR_UNSUPPORTED,
                             "the column %s of %s.%s cannot be part of a key: its type is nested",
                             self->columns[key->columns[i]].name, self->schema, self->name);
    }
    for (uint32_t i = 0; key->primary && i < self->nkeys; i++) {
        if (self->keys[i].primary)
            return error_set(err, ERR_SYNTAX, "the table %s.%s has more than one PRIMARY KEY",
                             self->schema, self->name);
    }
    for (uint32_t i = 0; key->name && i < self->nkeys; i++) {
        if (self->keys[i].name && strcmp(self->keys[i].name, key->name) == 0)
            return error_set(err, ERR_TABLE_EXISTS, "the table %s.%s has a key or index %s already",
                             self->schema, self->name, key->name);
    }
    return TRIB_OK;
}

Status table_add_key(MemTable *self, const TribKey *key, bool index, Error *err) {
    TRY(key_check(self, key, err));
    self->keys = arena_resize(self->arena, self->keys, self->nkeys * sizeof(MemKey),
                              (self->nkeys + 1) * sizeof(MemKey));
    if (!self->keys) {
        self->nkeys = 0;
        return error_out_of_memory(err);
    }
    MemKey *to = &self->keys[self->nkeys];
    *to = (MemKey){.primary = key->primary,
                   .unique = key->primary || key->unique,
                   .index = index,
                   .ncolumns = key->ncolumns,
                   .host = self->host};
    TRY(text_keep(self->arena, key->name, &to->name, err));
    TRY_ALLOC(
        to->columns,
        (uint32_t *)(void *)arena_copy(self->arena, key->columns, key->ncolumns * sizeof(uint32_t)),
        err);
    for (uint32_t i = 0; key->primary && i < key->ncolumns; i++)
        self->columns[key->columns[i]].nullable = false;
    self->nkeys++;
    return TRIB_OK;
}

void key_describe(const MemTable *self, const MemKey *key, Buf *out) {
    buf_text(out, key->primary ? "PRIMARY KEY" : key->index ? "UNIQUE INDEX" : "UNIQUE");
    if (key->name) buf_printf(out, " %s", key->name);
    for (uint32_t i = 0; i < key->ncolumns; i++)
        buf_printf(out, "%s%s", i ? ", " : " (", self->columns[key->columns[i]].name);
    buf_char(out, ')');
}

static Status table_define(MemTable *self, const TribTable *definition, Error *err) {
    TRY_ALLOC(self->schema, arena_strdup(self->arena, definition->schema), err);
    TRY_ALLOC(self->name, arena_strdup(self->arena, definition->name), err);
    TRY(text_keep(self->arena, definition->comment, &self->comment, err));
    TRY(columns_keep(self, definition, err));
    for (uint32_t i = 0; i < definition->nkeys; i++)
        TRY(table_add_key(self, &definition->keys[i], false, err));
    self->identity = definition->identity;
    atomic_init(&self->next_number, 1);
    return TRIB_OK;
}

Status table_take_numbers(MemTable *self, int64_t above, uint32_t count, int64_t *first,
                          Error *err) {
    const TribColumn *column = &self->columns[self->identity - 1];
    int64_t most = column->type.id == TRIB_TYPE_TINYINT    ? INT8_MAX
                   : column->type.id == TRIB_TYPE_SMALLINT ? INT16_MAX
                   : column->type.id == TRIB_TYPE_INTEGER  ? INT32_MAX
                                                           : INT64_MAX - 1;
    int64_t next = atomic_load(&self->next_number), from;
    do {
        from = above < next ? next : above < INT64_MAX ? above + 1 : INT64_MAX;
        if (count > 0 && from > most - (int64_t)count + 1)
            return error_set(err, ERR_OUT_OF_RANGE,
                             "the column %s of %s.%s has no more numbers: its type ends at %lld",
                             column->name, self->schema, self->name, (long long)most);
    } while (!atomic_compare_exchange_weak(&self->next_number, &next, from + count));
    *first = from;
    return TRIB_OK;
}

Status table_new(const TribHost *host, const TribTable *definition, MemTable **out, Error *err) {
    MemTable *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    atomic_init(&self->references, 1);
    self->host = host;
    self->next_id = 1;
    self->arena = arena_new(NULL);
    self->version = version_new(0, err);
    Status status = TRIB_OK;
    if (!self->arena || !self->version) status = error_out_of_memory(err);
    if (status == TRIB_OK) status = table_define(self, definition, err);
    if (status != TRIB_OK) {
        table_release(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

void table_retain(MemTable *self) {
    atomic_fetch_add_explicit(&self->references, 1, memory_order_relaxed);
}

void table_release(MemTable *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->nkeys; i++) key_clear(&self->keys[i]);
    version_release(self->version);
    arena_free(self->arena);
    heap_free(self);
}

/* ---------------------------------------------------------------- versions */

MemVersion *version_new(uint32_t ngroups, Error *err) {
    MemVersion *self = heap_alloc(sizeof *self + ngroups * sizeof(MemGroup *));
    if (self)
        atomic_init(&self->references, 1);
    else
        (void)error_out_of_memory(err);
    return self;
}

void version_release(MemVersion *self) {
    if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < self->ngroups; i++) group_release(self->groups[i]);
    heap_free(self);
}

MemVersion *table_version(MemTable *self, uint64_t *commit) {
    store_lock();
    MemVersion *version = self->version;
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    *commit = atomic_load(&mem_store.commits);
    store_unlock();
    return version;
}

void table_publish(MemTable *self, MemVersion *next) {
    store_lock();
    MemVersion *old = self->version;
    self->version = next;
    store_unlock();
    version_release(old);
}

/* ---------------------------------------------------------------- the rows of another table */

static Status ids_copy(IdRuns *to, const IdRuns *from, const TribHost *host, Error *err) {
    TRY(ids_reserve(to, host, from->count, err));
    if (from->count) memcpy(to->runs, from->runs, from->count * sizeof(IdRun));
    to->count = from->count;
    return TRIB_OK;
}

/* What the transaction has done to `from` it has done to `self`. */
static Status derive_log(MemTable *self, MemTx *tx, const MemTable *from, Error *err) {
    TxTable *log, *old = tx->tables;
    while (old && old->table != from) old = old->next;
    if (!old) return TRIB_OK;
    TRY(tx_table(tx, self, &log, err));
    TRY(ids_copy(&log->inserted, &old->inserted, self->host, err));
    return ids_copy(&log->deleted, &old->deleted, self->host, err);
}

Status table_derive(MemTable *self, MemTx *tx, MemTable *from, const uint32_t *source,
                    const TribValue *value, Error *err) {
    MemVersion *next = version_new(from->version->ngroups, err);
    if (!next) return err->status;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < from->version->ngroups && status == TRIB_OK; i++) {
        status = group_derive(from->version->groups[i], self->columns, self->ncolumns, source,
                              value, &next->groups[i], err);
        if (status == TRIB_OK) next->ngroups++;
    }
    if (status != TRIB_OK) {
        version_release(next);
        return status;
    }
    table_publish(self, next);
    self->next_id = from->next_id;
    self->dead = from->dead;
    self->ever_dead = true;
    self->lost = atomic_load(&mem_store.commits);
    atomic_store(&self->rows, atomic_load(&from->rows));
    TRY(keys_fill(self, tx, err));
    return derive_log(self, tx, from, err);
}

/* ---------------------------------------------------------------- dead rows */

static uint32_t group_dead(const MemGroup *group, uint64_t oldest) {
    uint32_t dead = 0;
    for (uint32_t row = 0; row < group->rows; row++) dead += group_row_dead(group, row, oldest);
    return dead;
}

/* Is it worth copying? *dead grows by its dead rows. */
static bool group_wasteful(const MemGroup *group, uint64_t oldest, uint64_t *dead) {
    uint32_t count = group_dead(group, oldest);
    if ((uint64_t)count * 4 < group->rows && !(count && group->rows < SMALL_GROUP)) return false;
    *dead += count;
    return true;
}

/* The version without what is wasteful; groups between two of those that are small go along. */
static Status version_sweep(const MemTable *table, uint64_t oldest, MemVersion **out,
                            uint64_t *swept, Error *err) {
    const MemVersion *old = table->version;
    MemVersion *next = version_new(old->ngroups, err);
    if (!next) return err->status;
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < old->ngroups && status == TRIB_OK;) {
        uint32_t end = i;
        uint64_t dead = 0;
        while (end < old->ngroups && (group_wasteful(old->groups[end], oldest, &dead) ||
                                      (dead && old->groups[end]->rows < SMALL_GROUP)))
            end++;
        if (end == i) {
            group_retain(old->groups[i]);
            next->groups[next->ngroups++] = old->groups[i++];
            continue;
        }
        uint32_t made;
        status = group_gather(table->host, table->columns, old->groups + i, end - i, oldest,
                              next->groups + next->ngroups, &made, err);
        next->ngroups += made;
        *swept += dead;
        i = end;
    }
    if (status != TRIB_OK) {
        version_release(next);
        return status;
    }
    *out = next;
    return TRIB_OK;
}

static void table_wait(MemTable *self) {
    if (self->waiting) return;
    self->waiting = true;
    table_retain(self);
    self->next_waiting = atomic_load(&mem_store.waiting);
    atomic_store(&mem_store.waiting, self);
}

void table_sweep(MemTable *self) {
    uint64_t live = atomic_load(&self->rows), swept = 0;
    if (self->dead < SWEEP_LEAST || self->dead < live / 3 || self->dead < self->sweep_at) return;
    Error ignored; /* without memory the rows stay until the next occasion */
    MemVersion *next;
    if (version_sweep(self, store_oldest(), &next, &swept, &ignored) != TRIB_OK) {
        error_clear(&ignored);
        self->sweep_at = self->dead + self->dead / 2;
        return;
    }
    if (swept)
        table_publish(self, next);
    else
        version_release(next);
    self->dead -= swept < self->dead ? swept : self->dead;
    self->sweep_at = self->dead ? self->dead + (live > SWEEP_LEAST ? live / 3 : SWEEP_LEAST) : 0;
    if (self->dead >= SWEEP_LEAST) table_wait(self);
}
