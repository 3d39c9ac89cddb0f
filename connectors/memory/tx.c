/*
 * tx.c - transactions: begin, marks, commit, rollback.
 *
 * A transaction keeps a log of what it did: runs of row ids that it inserted and deleted, by table, and
 * names that it made and dropped. Ending it walks the log: a commit puts its number where the pending one stood,
 * and is then made the newest commit, so that readers see all of it or nothing; a rollback takes the
 * deletions and names back and marks the insertions as aborted. Neither needs memory: they cannot fail.
 *
 * Threads: store.h. Logs are charged to the host's budget.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/store_internal.h"
#include "connectors/support/call.h"

#define TRANSACTIONS_MOST ((UINT64_C(1) << (63 - STATEMENT_BITS)) - 1)

/* ---------------------------------------------------------------- logs */

Status ids_reserve(IdRuns *self, const TribHost *host, uint32_t more, Error *err) {
    if (self->capacity - self->count >= more) return TRIB_OK;
    if (more > UINT32_MAX / 4 || self->count > UINT32_MAX / 4)
        return error_set(err, ERR_LIMIT, "a transaction has changed too many rows");
    uint32_t capacity = self->capacity ? self->capacity * 2 : 8;
    while (capacity - self->count < more) capacity *= 2;
    IdRun *runs = host_alloc(host, capacity * sizeof(IdRun));
    if (!runs) return chunk_out_of_budget(err);
    if (self->count) memcpy(runs, self->runs, self->count * sizeof(IdRun));
    host_free(host, self->runs);
    self->runs = runs;
    self->capacity = capacity;
    return TRIB_OK;
}

void ids_add(IdRuns *self, uint32_t floor, uint64_t first, uint64_t count) {
    IdRun *last = self->count > floor ? &self->runs[self->count - 1] : NULL;
    if (last && last->first + last->count == first)
        last->count += count;
    else
        self->runs[self->count++] = (IdRun){first, count};
}

Status tx_table(MemTx *self, MemTable *table, TxTable **out, Error *err) {
    TxTable *log = self->tables;
    while (log && log->table != table) log = log->next;
    if (!log) {
        TRY_ALLOC(log, heap_alloc(sizeof *log), err);
        log->table = table;
        log->next = self->tables;
        self->tables = log;
        table_retain(table);
        table->writers++;
    }
    *out = log;
    return TRIB_OK;
}

Status tx_note_name(MemTx *self, MemSchema *schema, MemTable *table, bool dropped, Error *err) {
    TxName *name;
    TRY_ALLOC(name, heap_alloc(sizeof *name), err);
    *name = (TxName){self->names, schema, table, dropped, true};
    self->names = name;
    return TRIB_OK;
}

static void logs_free(MemTx *self) {
    for (TxTable *log = self->tables, *next; log; log = next) {
        next = log->next;
        host_free(log->table->host, log->inserted.runs);
        host_free(log->table->host, log->deleted.runs);
        table_release(log->table);
        heap_free(log);
    }
    for (TxName *name = self->names, *next; name; name = next) {
        next = name->next;
        heap_free(name);
    }
}

/* ---------------------------------------------------------------- life */

Status tx_begin(MemCatalog *catalog, MemTx **out, Error *err) {
    MemTx *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    store_lock();
    bool possible = mem_store.transactions < TRANSACTIONS_MOST;
    if (possible) {
        self->number = TX_PENDING | ++mem_store.transactions << STATEMENT_BITS;
        self->commit = atomic_load(&mem_store.commits);
        self->next = mem_store.active;
        if (self->next) self->next->previous = self;
        mem_store.active = self;
    }
    store_unlock();
    atomic_init(&self->shows, self->number);
    if (!possible) {
        heap_free(self);
        return error_set(err, ERR_LIMIT, "the process has had too many transactions");
    }
    *out = self;
    return TRIB_OK;
}

MemSnapshot tx_snapshot(const MemTx *self) {
    return (MemSnapshot){self->commit, atomic_load_explicit(&self->shows, memory_order_acquire)};
}

uint64_t tx_rows(const MemTx *self, const MemTable *table) {
    uint64_t rows;
    store_write_lock();
    rows = atomic_load(&table->rows);
    for (const TxTable *log = self->tables; log; log = log->next) {
        if (log->table != table) continue;
        for (uint32_t i = 0; i < log->inserted.count; i++) rows += log->inserted.runs[i].count;
        for (uint32_t i = 0; i < log->deleted.count; i++) rows -= log->deleted.runs[i].count;
    }
    store_write_unlock();
    return rows;
}

MemCatalog *tx_catalog(const MemTx *self) {
    return self->catalog;
}

uint64_t store_oldest(void) {
    store_lock();
    uint64_t oldest = atomic_load(&mem_store.commits);
    for (const MemTx *tx = mem_store.active; tx; tx = tx->next)
        oldest = tx->commit < oldest ? tx->commit : oldest;
    store_unlock();
    return oldest;
}

/* Under the store's lock. */
static void tx_unlink(MemTx *self) {
    if (self->previous)
        self->previous->next = self->next;
    else
        mem_store.active = self->next;
    if (self->next) self->next->previous = self->previous;
}

/* Under both locks. */
static void names_commit(MemTx *self, uint64_t number) {
    for (TxName *name = self->names; name; name = name->next) {
        uint64_t *at = name->table ? &name->table->created : &name->schema->created;
        if (name->dropped) at = name->table ? &name->table->dropped : &name->schema->dropped;
        *at = number;
        self->catalog->garbage |= name->dropped;
    }
}

static void names_undo(MemTx *self, bool all, MemTable **freed) {
    while (self->names && (all || self->names->since_mark)) {
        TxName *name = self->names;
        name_undo(self->catalog, name, freed);
        self->names = name->next;
        heap_free(name);
    }
}

static void tables_free(MemTable *freed) {
    while (freed) {
        MemTable *next = freed->next;
        table_release(freed);
        freed = next;
    }
}

/* Tables whose dead rows an older snapshot saw: one such snapshot less, perhaps. */
static void waiting_sweep(void) {
    MemTable *table = atomic_exchange(&mem_store.waiting, NULL);
    while (table) {
        MemTable *next = table->next_waiting;
        table->waiting = false;
        table->next_waiting = NULL;
        table->sweep_at = 0;
        table_sweep(table);
        table_release(table);
        table = next;
    }
}

/* Under the write lock. */
static void tx_finish(MemTx *self, bool commit, MemTable **freed) {
    uint64_t number = atomic_load(&mem_store.commits) + 1;
    for (TxTable *log = self->tables; log; log = log->next) {
        if (commit)
            log_commit(log, number);
        else
            log_undo(log, 0, 0);
        log->table->writers--;
    }
    store_lock();
    if (commit && (self->tables || self->names)) {
        names_commit(self, number);
        atomic_store(&mem_store.commits, number);
    } else {
        names_undo(self, true, freed);
    }
    tx_unlink(self);
    store_unlock();
    uint64_t oldest = store_oldest();
    for (TxTable *log = self->tables; log; log = log->next) table_sweep(log->table);
    if (oldest > self->commit) waiting_sweep();
    store_lock();
    catalog_sweep(self->catalog, oldest, freed);
    store_unlock();
}

void tx_end(MemTx *self, bool commit) {
    MemTable *freed = NULL;
    if (!self->tables && !self->names && !atomic_load(&mem_store.waiting)) {
        store_lock();
        tx_unlink(self);
        store_unlock();
    } else {
        store_write_lock();
        tx_finish(self, commit, &freed);
        store_write_unlock();
    }
    tables_free(freed);
    logs_free(self);
    heap_free(self);
}

/* ---------------------------------------------------------------- marks */

void tx_set_mark(MemTx *self) {
    store_write_lock();
    self->mark = self->statements;
    for (TxTable *log = self->tables; log; log = log->next) {
        log->mark_inserted = log->inserted.count;
        log->mark_deleted = log->deleted.count;
    }
    for (TxName *name = self->names; name && name->since_mark; name = name->next)
        name->since_mark = false;
    store_write_unlock();
}

void tx_go_back(MemTx *self) {
    MemTable *freed = NULL;
    store_write_lock();
    for (TxTable *log = self->tables; log; log = log->next)
        log_undo(log, log->mark_inserted, log->mark_deleted);
    store_lock();
    names_undo(self, false, &freed);
    store_unlock();
    store_write_unlock();
    tables_free(freed);
}
