/*
 * group_rows.c - looking at the rows of a group: ids, transaction numbers, who sees what, sketches.
 *
 * Threads: readers take numbers as they find them (group.h says why that is enough); a sketch that is
 * asked for first by several threads is made by each, and one of them is kept.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/group.h"
#include "connectors/memory/sketch.h"
#include "connectors/support/call.h"

static InsertRun *runs_of(const MemGroup *self) {
    return (InsertRun *)(void *)self->runs->data;
}

static const uint64_t *ids_of(const MemGroup *self) {
    return (const uint64_t *)(const void *)self->ids->data;
}

uint64_t group_id(const MemGroup *self, uint32_t row) {
    return self->ids ? ids_of(self)[row] : self->first_id + row;
}

bool group_find(const MemGroup *self, uint64_t id, uint32_t *row) {
    if (id < self->first_id) return false;
    if (!self->ids) {
        if (id - self->first_id >= self->rows) return false;
        *row = (uint32_t)(id - self->first_id);
        return true;
    }
    const uint64_t *ids = ids_of(self);
    uint32_t low = 0, high = self->rows;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ids[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    *row = low;
    return low < self->rows && ids[low] == id;
}

/* The run of a row. */
static uint32_t run_of(const MemGroup *self, uint32_t row) {
    const InsertRun *runs = runs_of(self);
    uint32_t low = 0, high = self->nruns; /* runs[low].start <= row < runs[high].start */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (runs[middle].start <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

_Atomic uint64_t *group_insert_number(const MemGroup *self, uint32_t row) {
    return &runs_of(self)[run_of(self, row)].number;
}

void group_set_inserted(MemGroup *self, uint32_t from, uint32_t count, uint64_t number) {
    InsertRun *runs = runs_of(self);
    for (uint32_t run = run_of(self, from); run < self->nruns; run++) {
        if (runs[run].start >= from + count) break;
        atomic_store_explicit(&runs[run].number, number, memory_order_release);
    }
}

static _Atomic uint64_t *deletes_of(const MemGroup *self) {
    ChunkBuffer *buffer = atomic_load_explicit(&self->deletes, memory_order_acquire);
    return buffer ? (_Atomic uint64_t *)(void *)buffer->data : NULL;
}

uint64_t group_delete_number(const MemGroup *self, uint32_t row) {
    const _Atomic uint64_t *deletes = deletes_of(self);
    return deletes ? atomic_load_explicit(&deletes[row], memory_order_acquire) : 0;
}

Status group_deletable(MemGroup *self, Error *err) {
    if (deletes_of(self)) return TRIB_OK;
    size_t bytes = (size_t)self->rows * sizeof(uint64_t);
    ChunkBuffer *buffer = buffer_new(self->host, bytes, err);
    if (!buffer) return err->status;
    memset(buffer->data, 0, bytes);
    atomic_store_explicit(&self->deletes, buffer, memory_order_release);
    return TRIB_OK;
}

_Atomic uint64_t *group_delete_place(const MemGroup *self, uint32_t row) {
    return &deletes_of(self)[row];
}

bool group_row_dead(const MemGroup *self, uint32_t row, uint64_t oldest) {
    uint64_t deleted = group_delete_number(self, row);
    if (deleted && deleted <= oldest) return true;
    return atomic_load_explicit(group_insert_number(self, row), memory_order_acquire) == TX_ABORTED;
}

/* ---------------------------------------------------------------- visibility */

static bool run_visible(const InsertRun *run, MemSnapshot snapshot) {
    return number_visible(atomic_load_explicit(&run->number, memory_order_acquire), snapshot);
}

bool group_any_visible(const MemGroup *self, MemSnapshot snapshot) {
    const InsertRun *runs = runs_of(self);
    for (uint32_t i = 0; i < self->nruns; i++) {
        if (run_visible(&runs[i], snapshot)) return true;
    }
    return false;
}

bool group_all_visible(const MemGroup *self, MemSnapshot snapshot) {
    const InsertRun *runs = runs_of(self);
    for (uint32_t i = 0; i < self->nruns; i++) {
        if (!run_visible(&runs[i], snapshot)) return false;
    }
    return !deletes_of(self);
}

uint32_t group_select(const MemGroup *self, MemSnapshot snapshot, uint32_t from, uint32_t count,
                      uint16_t *selection) {
    const InsertRun *runs = runs_of(self);
    const _Atomic uint64_t *deletes = deletes_of(self);
    uint32_t selected = 0, end = from + count;
    for (uint32_t run = run_of(self, from), row = from; row < end; run++) {
        uint32_t next = run + 1 < self->nruns ? runs[run + 1].start : end;
        if (next > end) next = end;
        bool visible = run_visible(&runs[run], snapshot);
        for (; visible && row < next; row++) {
            uint64_t deleted =
                deletes ? atomic_load_explicit(&deletes[row], memory_order_acquire) : 0;
            selection[selected] = (uint16_t)(row - from);
            selected += deleted == 0 || !number_visible(deleted, snapshot);
        }
        row = next;
    }
    return selected;
}

/* ---------------------------------------------------------------- sketches */

const uint8_t *column_sketch(MemColumn *self) {
    uint8_t *there = atomic_load_explicit(&self->sketch, memory_order_acquire);
    if (there || !chunk_countable(&self->chunk)) return there;
    uint8_t *made = host_alloc(self->host, SKETCH_BYTES);
    if (!made) return NULL;
    memset(made, 0, SKETCH_BYTES);
    chunk_sketch(&self->chunk, 0, made);
    if (atomic_compare_exchange_strong(&self->sketch, &there, made)) return made;
    host_free(self->host, made);
    return there;
}
