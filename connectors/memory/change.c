/*
 * change.c - statements that change rows, the keys that rows take, and the logs of what was changed.
 *
 * Deleting marks rows with the pending number of the statement; inserting publishes a version with the new
 * rows, which carry it too. A small insertion extends the last group in place (group_extend): single rows
 * and arrays of parameters come one after another into the same memory. Keys are checked when the
 * statement inserts, after all it deletes, so that UPDATE t SET id = id + 1 works.
 *
 * Threads: all under the write lock, which each function takes for itself unless it says otherwise.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/store_internal.h"

/* ---------------------------------------------------------------- finding rows */

/* The last group whose ids begin at or before `id`; ngroups: none. */
static uint32_t version_place(const MemVersion *self, uint64_t id) {
    uint32_t low = 0, high = self->ngroups;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->groups[middle]->first_id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : self->ngroups;
}

bool version_find(const MemVersion *self, uint64_t id, MemGroup **group, uint32_t *row) {
    uint32_t at = version_place(self, id);
    if (at == self->ngroups || !group_find(self->groups[at], id, row)) return false;
    *group = self->groups[at];
    return true;
}

/* The first row of the group with an id of at least `id`. */
static uint32_t group_lower(const MemGroup *group, uint64_t id) {
    uint32_t low = 0, high = group->rows;
    if (id <= group->first_id) return 0;
    if (!group->ids) return id - group->first_id < high ? (uint32_t)(id - group->first_id) : high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (group_id(group, middle) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool version_piece(const MemVersion *self, IdRun *rest, MemGroup **group, uint32_t *from,
                   uint32_t *count) {
    while (rest->count > 0) {
        uint32_t at = version_place(self, rest->first);
        uint64_t end = rest->first + rest->count, next = end;
        if (at == self->ngroups && self->ngroups > 0) next = self->groups[0]->first_id;
        if (at < self->ngroups && at + 1 < self->ngroups) next = self->groups[at + 1]->first_id;
        if (next > end) next = end;
        *from = at < self->ngroups ? group_lower(self->groups[at], rest->first) : 0;
        *count = at < self->ngroups ? group_lower(self->groups[at], next) - *from : 0;
        *group = at < self->ngroups ? self->groups[at] : NULL;
        *rest = (IdRun){next, end - next};
        if (*count > 0) return true;
    }
    return false;
}

/* ---------------------------------------------------------------- keys */

typedef struct Judgement {
    const MemKey *key;
    const MemVersion *version;
    const MemTx *tx;
    const MemGroup *group; /* the row that wants the key */
    uint32_t row;
    uint64_t oldest;
    uint32_t kept; /* slots of rows that older snapshots see */
    uint64_t lost; /* the newest commit that deleted such a row whose slot was given away */
    bool busy;     /* another transaction has written the key since the snapshot */
} Judgement;

/* So many slots of one key are kept for older snapshots: what is written to often stays quick. */
#define KEPT_MOST 16

/* Was it inserted and deleted by the transaction before its mark? Nothing can bring it back, then. */
static bool gone_within(uint64_t inserted, uint64_t deleted, const MemTx *tx) {
    return number_own(inserted, tx->number) && number_own(deleted, tx->number) &&
           (deleted & STATEMENT_MOST) <= tx->mark;
}

static KeyAnswer key_judge(void *context, uint64_t id) {
    Judgement *self = context;
    MemGroup *group;
    uint32_t row;
    if (!version_find(self->version, id, &group, &row)) return KEY_STALE;
    uint64_t inserted = atomic_load(group_insert_number(group, row));
    uint64_t deleted = group_delete_number(group, row);
    if (inserted == TX_ABORTED || (deleted && deleted <= self->oldest) ||
        gone_within(inserted, deleted, self->tx))
        return KEY_STALE;
    if (!key_equal(self->key, self->group, self->row, group, row)) return KEY_OTHER;
    if (deleted && number_own(deleted, self->tx->number)) return KEY_OTHER;
    if (deleted && deleted <= self->tx->commit) {
        if (++self->kept <= KEPT_MOST) return KEY_OTHER;
        self->lost = deleted > self->lost ? deleted : self->lost;
        return KEY_STALE;
    }
    self->busy = deleted || (!number_final(inserted) && !number_own(inserted, self->tx->number));
    return KEY_TAKEN;
}

static bool key_alive(void *context, uint64_t id) {
    const Judgement *self = context;
    MemGroup *group;
    uint32_t row;
    return version_find(self->version, id, &group, &row) &&
           !group_row_dead(group, row, self->oldest);
}

static Status key_violated(const MemTable *table, const Judgement *judgement, Error *err) {
    Arena *arena = arena_new(NULL);
    if (!arena) return error_out_of_memory(err);
    Buf text;
    buf_init(&text, arena, 1000);
    key_print(judgement->key, judgement->group, judgement->row, &text);
    buf_text(&text,
             judgement->busy ? " has been written by another transaction: " : " exists already: ");
    key_describe(table, judgement->key, &text);
    (void)error_set(err, judgement->busy ? ERR_SERIALIZATION : ERR_CONSTRAINT,
                    "in table %s.%s the key " STR_FORMAT, table->schema, table->name,
                    STR_ARGS(buf_view(&text)));
    if (judgement->busy) (void)error_hint(err, "roll back and try again");
    arena_free(arena);
    return err->status;
}

/* Takes the keys of rows [from, to); *done = the first row that did not get its. */
static bool key_take_rows(MemKey *key, Judgement *judgement, uint64_t first, uint32_t from,
                          uint32_t to, uint32_t *done) {
    uint64_t hashes[KEY_BLOCK];
    bool nulls[KEY_BLOCK];
    for (uint32_t at = from; at < to; at += KEY_BLOCK) {
        uint32_t count = to - at < KEY_BLOCK ? to - at : KEY_BLOCK;
        key_hash(key, judgement->group, at, count, hashes, nulls);
        for (uint32_t i = 0; i < count; i++) key_prefetch(key, hashes[i]);
        for (uint32_t i = 0; i < count; i++) {
            judgement->row = *done = at + i;
            judgement->kept = 0;
            if (!nulls[i] && !key_put(key, hashes[i], first + at + i, key_judge, judgement))
                return false;
        }
    }
    *done = to;
    return true;
}

static void key_drop_rows(MemKey *key, const MemGroup *group, uint64_t first, uint32_t from,
                          uint32_t to) {
    uint64_t hashes[KEY_BLOCK];
    bool nulls[KEY_BLOCK];
    for (uint32_t at = from; at < to; at += KEY_BLOCK) {
        uint32_t count = to - at < KEY_BLOCK ? to - at : KEY_BLOCK;
        key_hash(key, group, at, count, hashes, nulls);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t id = group->ids ? group_id(group, at + i) : first + at + i;
            if (!nulls[i]) key_remove(key, hashes[i], id);
        }
    }
}

void keys_give_back(MemTable *self, const MemGroup *group, uint32_t from, uint32_t count) {
    for (uint32_t k = 0; k < self->nkeys; k++) {
        if (self->keys[k].unique)
            key_drop_rows(&self->keys[k], group, group->first_id, from, from + count);
    }
}

/* One key of all groups; on failure it is as it was. */
static Status key_take_all(MemTable *self, Judgement *judgement, MemKey *key,
                           MemGroup *const *groups, uint32_t count, uint64_t first, Error *err) {
    uint64_t id = first;
    for (uint32_t g = 0; g < count; g++) {
        uint32_t done = 0;
        judgement->group = groups[g];
        if (key_take_rows(key, judgement, id, 0, groups[g]->rows, &done)) {
            id += groups[g]->rows;
            continue;
        }
        (void)key_violated(self, judgement, err);
        err->row = (uint32_t)(id - first + done);
        key_drop_rows(key, groups[g], id, 0, done);
        while (g-- > 0) {
            id -= groups[g]->rows;
            key_drop_rows(key, groups[g], id, 0, groups[g]->rows);
        }
        return err->status;
    }
    return TRIB_OK;
}

/* ---- keys whose slots were given away */

typedef struct LostSearch {
    Judgement *judgement; /* the row that was deleted */
    uint64_t first;       /* id of the first new row */
    bool found;
} LostSearch;

static bool lost_found(void *context, uint64_t id) {
    LostSearch *self = context;
    MemGroup *group;
    uint32_t row;
    if (id < self->first || !version_find(self->judgement->version, id, &group, &row)) return true;
    self->found =
        key_equal(self->judgement->key, self->judgement->group, self->judgement->row, group, row);
    return !self->found;
}

/* Has a row with the key of a new one been deleted since the snapshot? */
static bool lost_conflict(const MemKey *key, Judgement *judgement, uint64_t first) {
    for (uint32_t g = 0; g < judgement->version->ngroups; g++) {
        const MemGroup *group = judgement->group = judgement->version->groups[g];
        for (uint32_t row = 0; row < group->rows && group_id(group, row) < first; row++) {
            uint64_t deleted = group_delete_number(group, row), hash;
            bool null;
            if (!number_final(deleted) || deleted <= judgement->tx->commit ||
                atomic_load(group_insert_number(group, row)) == TX_ABORTED)
                continue;
            LostSearch search = {judgement, first, false};
            judgement->row = row;
            key_hash(key, group, row, 1, &hash, &null);
            if (!null) key_find(key, hash, lost_found, &search);
            if (search.found) return true;
        }
    }
    return false;
}

/* A snapshot from before a slot was given away cannot rely on the slots alone: what was deleted since is looked
 * at, too. Rare, and then as long as the table is. */
static Status keys_lost(MemTable *self, Judgement *judgement, uint64_t first, Error *err) {
    if (judgement->tx->commit >= self->lost) return TRIB_OK;
    for (uint32_t k = 0; k < self->nkeys; k++) {
        judgement->key = &self->keys[k];
        if (!self->keys[k].unique || !lost_conflict(&self->keys[k], judgement, first)) continue;
        judgement->busy = true;
        return key_violated(self, judgement, err);
    }
    return TRIB_OK;
}

Status keys_take(MemTable *self, const MemVersion *next, MemGroup *const *groups, uint32_t count,
                 uint64_t first, const MemTx *tx, Error *err) {
    Judgement judgement = {.version = next, .tx = tx, .oldest = store_oldest()};
    uint64_t rows = 0;
    Status status = TRIB_OK;
    uint32_t k = 0;
    for (uint32_t g = 0; g < count; g++) rows += groups[g]->rows;
    for (; k < self->nkeys && status == TRIB_OK; k++) {
        judgement.key = &self->keys[k];
        if (!self->keys[k].unique) continue;
        status =
            key_reserve(&self->keys[k], rows, self->ever_dead ? key_alive : NULL, &judgement, err);
        if (status == TRIB_OK)
            status = key_take_all(self, &judgement, &self->keys[k], groups, count, first, err);
    }
    bool taken = status == TRIB_OK;
    if (taken) status = keys_lost(self, &judgement, first, err);
    if (judgement.lost > self->lost) self->lost = judgement.lost;
    if (status != TRIB_OK && !taken) k--; /* the one that failed has given back what it took */
    for (; status != TRIB_OK && k > 0; k--) {
        uint64_t id = first;
        for (uint32_t g = 0; self->keys[k - 1].unique && g < count; g++) {
            key_drop_rows(&self->keys[k - 1], groups[g], id, 0, groups[g]->rows);
            id += groups[g]->rows;
        }
    }
    return status;
}

/* A row that counts, for a table that no other transaction is changing. */
static bool row_counts(const MemGroup *group, uint32_t row) {
    return group_delete_number(group, row) == 0 &&
           atomic_load(group_insert_number(group, row)) != TX_ABORTED;
}

static Status key_fill_group(MemTable *self, Judgement *judgement, MemKey *key, Error *err) {
    uint64_t hash;
    bool null;
    TRY(key_reserve(key, judgement->group->rows, NULL, NULL, err));
    for (uint32_t row = 0; row < judgement->group->rows; row++) {
        if (!row_counts(judgement->group, row)) continue;
        judgement->row = row;
        judgement->kept = 0;
        key_hash(key, judgement->group, row, 1, &hash, &null);
        if (null || key_put(key, hash, group_id(judgement->group, row), key_judge, judgement))
            continue;
        return key_violated(self, judgement, err);
    }
    return TRIB_OK;
}

Status keys_fill(MemTable *self, const MemTx *tx, Error *err) {
    Judgement judgement = {.version = self->version, .tx = tx, .oldest = store_oldest()};
    for (uint32_t k = 0; k < self->nkeys; k++) {
        judgement.key = &self->keys[k];
        for (uint32_t g = 0; self->keys[k].unique && g < self->version->ngroups; g++) {
            judgement.group = self->version->groups[g];
            TRY(key_fill_group(self, &judgement, &self->keys[k], err));
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- logs */

void log_undo(TxTable *self, uint32_t inserted, uint32_t deleted) {
    MemTable *table = self->table;
    MemGroup *group;
    uint32_t from, count;
    for (uint32_t i = inserted; i < self->inserted.count; i++) {
        IdRun rest = self->inserted.runs[i];
        while (version_piece(table->version, &rest, &group, &from, &count)) {
            keys_give_back(table, group, from, count);
            group_set_inserted(group, from, count, TX_ABORTED);
            table->dead += count;
        }
    }
    for (uint32_t i = deleted; i < self->deleted.count; i++) {
        IdRun rest = self->deleted.runs[i];
        while (version_piece(table->version, &rest, &group, &from, &count)) {
            for (uint32_t row = from; row < from + count; row++)
                atomic_store(group_delete_place(group, row), 0);
        }
    }
    table->ever_dead |= self->inserted.count > inserted;
    self->inserted.count = inserted;
    self->deleted.count = deleted;
}

void log_commit(TxTable *self, uint64_t number) {
    MemTable *table = self->table;
    MemGroup *group;
    uint32_t from, count;
    uint64_t inserted = 0, deleted = 0;
    for (uint32_t i = 0; i < self->inserted.count; i++) {
        IdRun rest = self->inserted.runs[i];
        while (version_piece(table->version, &rest, &group, &from, &count)) {
            group_set_inserted(group, from, count, number);
            inserted += count;
        }
    }
    for (uint32_t i = 0; i < self->deleted.count; i++) {
        IdRun rest = self->deleted.runs[i];
        while (version_piece(table->version, &rest, &group, &from, &count)) {
            for (uint32_t row = from; row < from + count; row++)
                atomic_store_explicit(group_delete_place(group, row), number, memory_order_release);
            deleted += count;
        }
    }
    atomic_fetch_add(&table->rows, inserted - deleted);
    table->dead += deleted;
    table->ever_dead |= deleted > 0;
}

/* ---------------------------------------------------------------- statements */

/* Under the write lock: may the transaction change the table's rows? */
static Status table_changeable(const MemTable *self, const MemTx *tx, Error *err) {
    if (self->dropped == 0) return TRIB_OK;
    if (number_own(self->dropped, tx->number))
        return store_no_table(tx->catalog, self->schema, self->name, err);
    (void)error_set(err, ERR_SERIALIZATION,
                    "another transaction has changed or dropped the table %s.%s", self->schema,
                    self->name);
    return error_hint(err, "roll back and try again");
}

Status statement_begin(MemStatement *self, MemTx *tx, MemTable *table, Error *err) {
    *self = (MemStatement){.tx = tx, .table = table};
    store_write_lock();
    bool possible = tx->statements < STATEMENT_MOST;
    if (possible) {
        self->number = tx->number | ++tx->statements;
        tx->running++;
        for (TxTable *log = tx->tables; log; log = log->next) {
            if (log->table != table) continue;
            self->log = log;
            self->inserted = log->inserted.count;
            self->deleted = log->deleted.count;
        }
    }
    store_write_unlock();
    if (possible) return TRIB_OK;
    return error_set(err, ERR_LIMIT, "a transaction has at most %llu statements that write",
                     (unsigned long long)STATEMENT_MOST);
}

static Status row_delete(MemStatement *self, uint64_t id, Error *err) {
    MemTable *table = self->table;
    MemGroup *group;
    uint32_t row;
    bool found = version_find(table->version, id, &group, &row);
    if (found) TRY(group_deletable(group, err));
    _Atomic uint64_t *place = found ? group_delete_place(group, row) : NULL;
    uint64_t deleted = found ? atomic_load(place) : TX_ABORTED;
    if (deleted == self->number)
        return error_set(err, ERR_SCALAR_SUBQUERY_ROWS,
                         "the statement changes a row of %s.%s more than once", table->schema,
                         table->name);
    if (deleted) {
        (void)error_set(err, ERR_SERIALIZATION,
                        "a row of %s.%s has been changed or deleted by another transaction",
                        table->schema, table->name);
        return error_hint(err, "roll back and try again");
    }
    atomic_store(place, self->number);
    ids_add(&self->log->deleted, self->deleted, id, 1);
    self->rows_deleted++;
    return TRIB_OK;
}

Status statement_delete(MemStatement *self, const uint64_t *ids, uint32_t count, Error *err) {
    store_write_lock();
    Status status = table_changeable(self->table, self->tx, err);
    if (status == TRIB_OK) status = tx_table(self->tx, self->table, &self->log, err);
    if (status == TRIB_OK) status = ids_reserve(&self->log->deleted, self->table->host, count, err);
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++)
        status = row_delete(self, ids[i], err);
    store_write_unlock();
    return status;
}

/* May `more` rows from id `next_id` on be written behind the group's, in its memory? */
static bool group_extensible(const MemGroup *self, uint64_t next_id, uint32_t more) {
    return !self->closed && !self->ids && self->first_id + self->rows == next_id &&
           more <= GROUP_ROWS / 2 && self->rows + more <= GROUP_ROWS;
}

/* The table's version with the groups at its end; not yet published. */
static Status version_append(const MemTable *table, MemGroup *const *groups, uint32_t count,
                             uint64_t number, MemVersion **out, Error *err) {
    const MemVersion *old = table->version;
    MemVersion *next = version_new(old->ngroups + count, err);
    if (!next) return err->status;
    uint64_t id = table->next_id, oldest = store_oldest();
    for (uint32_t i = 0; i < old->ngroups; i++) {
        next->groups[next->ngroups++] = old->groups[i];
        group_retain(old->groups[i]);
    }
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++) {
        MemGroup *group = groups[i], *tail = NULL, *longer;
        if (next->ngroups) tail = next->groups[next->ngroups - 1];
        if (tail && group_extensible(tail, id, group->rows)) {
            status = group_extend(tail, group, number, oldest, &longer, err);
            if (status == TRIB_OK) {
                group_release(tail);
                next->groups[next->ngroups - 1] = longer;
            }
        } else {
            status = group_number(group, id, number, err);
            if (status == TRIB_OK) {
                group_retain(group);
                next->groups[next->ngroups++] = group;
            }
        }
        id += group->rows;
    }
    if (status != TRIB_OK) {
        version_release(next);
        return status;
    }
    *out = next;
    return TRIB_OK;
}

static Status rows_insert(MemStatement *self, MemGroup *const *groups, uint32_t count, Error *err) {
    MemTable *table = self->table;
    MemVersion *next;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < count; i++) rows += groups[i]->rows;
    TRY(table_changeable(table, self->tx, err));
    TRY(tx_table(self->tx, table, &self->log, err));
    TRY(ids_reserve(&self->log->inserted, table->host, 1, err));
    TRY(version_append(table, groups, count, self->number, &next, err));
    Status status = keys_take(table, next, groups, count, table->next_id, self->tx, err);
    if (status != TRIB_OK) {
        version_release(next);
        return status;
    }
    ids_add(&self->log->inserted, self->log->mark_inserted, table->next_id, rows);
    table->next_id += rows;
    table_publish(table, next);
    return TRIB_OK;
}

Status statement_insert(MemStatement *self, MemGroup *const *groups, uint32_t count, Error *err) {
    if (count == 0) return TRIB_OK;
    store_write_lock();
    Status status = rows_insert(self, groups, count, err);
    store_write_unlock();
    return status;
}

void statement_end(MemStatement *self, bool keep) {
    MemTx *tx = self->tx;
    store_write_lock();
    if (!keep && self->log) log_undo(self->log, self->inserted, self->deleted);
    if (--tx->running == 0)
        atomic_store_explicit(&tx->shows, tx->number | tx->statements, memory_order_release);
    store_write_unlock();
}
