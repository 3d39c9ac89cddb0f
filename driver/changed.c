/*
 * changed.c - see changed.h. Rows are found by bisection; a row that is changed again leaves its older copy
 * behind until the cursor is closed. Memory is charged to the budget of the process.
 */
#include "driver/changed.h"

#include <stdatomic.h>

/* The place of the first row with this number or a higher one. */
static uint32_t changed_place(const ChangedRows *self, uint64_t number) {
    uint32_t low = 0, high = self->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (self->rows[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const ChangedRow *changed_find(const ChangedRows *self, uint64_t number) {
    uint32_t at = changed_place(self, number);
    return at < self->count && self->rows[at].number == number ? &self->rows[at] : NULL;
}

uint64_t changed_next(const ChangedRows *self, uint64_t number) {
    uint32_t at = self->count ? changed_place(self, number) : 0;
    return at < self->count ? self->rows[at].number : UINT64_MAX;
}

Arena *changed_arena(ChangedRows *self) {
    if (!self->arena) self->arena = arena_new(NULL);
    return self->arena;
}

static Status changed_charge(ChangedRows *self, Error *err) {
    int64_t bytes = (int64_t)(self->capacity * sizeof *self->rows);
    if (self->arena) bytes += (int64_t)arena_bytes(self->arena);
    if (!self->grant.budget && !grant_init(&self->grant, budget_process(), 0, false))
        return error_out_of_memory(err);
    int64_t held = atomic_load(&self->grant.held);
    if (bytes <= held || grant_try(&self->grant, bytes - held)) return TRIB_OK;
    return error_set(err, ERR_OUT_OF_MEMORY,
                     "the rows that were changed through the cursor do not fit into the memory of "
                     "the process (ProcessMemoryLimit)");
}

/* A new place for a row, as the cursor read it. */
static ChangedRow *changed_insert(ChangedRows *self, uint32_t at, uint64_t number) {
    if (self->count == self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity * 2 : 16;
        ChangedRow *rows = heap_resize(self->rows, capacity * sizeof *rows);
        if (!rows) return NULL;
        self->rows = rows;
        self->capacity = capacity;
    }
    memmove(&self->rows[at + 1], &self->rows[at], (self->count - at) * sizeof *self->rows);
    self->rows[at] = (ChangedRow){.number = number};
    self->count++;
    return &self->rows[at];
}

Status changed_put(ChangedRows *self, uint64_t number, const BatchView *batch, bool open,
                   Error *err) {
    uint32_t at = changed_place(self, number);
    bool known = at < self->count && self->rows[at].number == number;
    ChangedRow *row = known ? &self->rows[at] : changed_insert(self, at, number);
    if (!row) return error_out_of_memory(err);
    if (open && !row->open) {
        row->open = true;
        row->was_changed = known;
        row->before = row->batch;
        self->nopen++;
    }
    row->batch = batch;
    return changed_charge(self, err);
}

void changed_end(ChangedRows *self, bool committed) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        ChangedRow row = self->rows[i];
        if (row.open && !committed) row.batch = row.before;
        bool stays = !row.open || committed || row.was_changed;
        row.open = false;
        if (stays) self->rows[kept++] = row;
    }
    self->count = kept;
    self->nopen = 0;
}

void changed_clear(ChangedRows *self) {
    if (!self->capacity && !self->arena) return;
    heap_free(self->rows);
    arena_free(self->arena);
    if (self->grant.budget) grant_clear(&self->grant);
    *self = (ChangedRows){0};
}

void changed_free(ChangedRows *self) {
    changed_clear(self);
}
