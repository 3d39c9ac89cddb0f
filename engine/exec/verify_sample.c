/*
 * verify_sample.c - see verify_sample.h.
 *
 * Lists double; when the grant refuses, every second hash is thrown away instead. The table is made with
 * at most half of its slots taken, and thinned until the grant gives that much. Memory comes from the
 * grant alone. Threads: counts are taken down atomically, everything else has one owner at a time.
 */
#include "engine/exec/verify_sample.h"

#include <stdatomic.h>
#include <string.h>

#define FIRST_HASHES  8192
#define MOST_THINNING 63

static bool is_kept(uint64_t hash, uint32_t thinned) {
    return (hash & ((UINT64_C(1) << thinned) - 1)) == 0;
}

static void list_thin(SampleList *self) {
    uint64_t kept = 0;
    self->thinned++;
    for (uint64_t i = 0; i < self->count; i++) {
        if (is_kept(self->hashes[i], self->thinned)) self->hashes[kept++] = self->hashes[i];
    }
    self->count = kept;
}

static bool list_grow(SampleList *self, Grant *grant) {
    uint64_t capacity = self->capacity ? self->capacity * 2 : FIRST_HASHES;
    uint64_t *hashes = grant_map(grant, capacity * sizeof *hashes);
    if (!hashes) return false;
    if (self->count) memcpy(hashes, self->hashes, self->count * sizeof *hashes);
    sample_clear(self, grant);
    self->hashes = hashes;
    self->capacity = capacity;
    return true;
}

void sample_add(SampleList *self, Grant *grant, uint64_t hash) {
    if (!is_kept(hash, self->thinned)) return;
    while (self->count == self->capacity && !list_grow(self, grant)) {
        if (self->thinned == MOST_THINNING) return;
        list_thin(self);
        if (!is_kept(hash, self->thinned)) return;
    }
    self->hashes[self->count++] = hash;
}

/* Frees the memory; count and thinning stay. */
void sample_clear(SampleList *self, Grant *grant) {
    if (self->hashes) grant_unmap(grant, self->hashes, self->capacity * sizeof *self->hashes);
    self->hashes = NULL;
    self->capacity = 0;
}

/* ---------------------------------------------------------------- the table */

/* The slot of the hash, or the free one where it belongs. */
static uint64_t table_slot(const SampleTable *self, uint64_t hash) {
    uint64_t at = (hash ^ hash >> 32) & (self->slots - 1);
    while (self->hashes[at] != 0 && self->hashes[at] != hash) at = (at + 1) & (self->slots - 1);
    return at;
}

static uint64_t count_kept(const SampleList *lists, uint32_t thinned) {
    uint64_t kept = 0;
    for (const SampleList *list = lists; list; list = list->next) {
        for (uint64_t i = 0; i < list->count; i++) kept += is_kept(list->hashes[i], thinned);
    }
    return kept;
}

static bool table_map(SampleTable *self, Grant *grant, uint64_t hashes) {
    self->slots = FIRST_HASHES;
    while (self->slots < 2 * hashes) self->slots *= 2;
    self->hashes = grant_map(grant, self->slots * sizeof *self->hashes);
    self->left = self->hashes ? grant_map(grant, self->slots * sizeof *self->left) : NULL;
    if (self->left) return true;
    sample_table_clear(self, grant);
    return false;
}

void sample_join(SampleTable *self, Grant *grant, const SampleList *lists) {
    self->thinned = 0;
    for (const SampleList *list = lists; list; list = list->next) {
        if (list->thinned > self->thinned) self->thinned = list->thinned;
    }
    while (!table_map(self, grant, count_kept(lists, self->thinned))) {
        if (self->thinned == MOST_THINNING) return;
        self->thinned++;
    }
    for (const SampleList *list = lists; list; list = list->next) {
        for (uint64_t i = 0; i < list->count; i++) {
            uint64_t hash = list->hashes[i];
            if (hash == 0 || !is_kept(hash, self->thinned)) continue;
            uint64_t at = table_slot(self, hash);
            self->hashes[at] = hash;
            atomic_fetch_add_explicit(&self->left[at], 1, memory_order_relaxed);
        }
    }
}

void sample_take(SampleTable *self, uint64_t hash) {
    if (!self->hashes || !is_kept(hash, self->thinned)) return;
    uint64_t at = table_slot(self, hash);
    if (self->hashes[at] == hash)
        atomic_fetch_sub_explicit(&self->left[at], 1, memory_order_relaxed);
}

uint64_t sample_left(const SampleTable *self) {
    uint64_t left = 0;
    for (uint64_t i = 0; i < self->slots; i++) {
        int64_t here = atomic_load_explicit(&self->left[i], memory_order_relaxed);
        if (here > 0) left += (uint64_t)here;
    }
    return left;
}

void sample_table_clear(SampleTable *self, Grant *grant) {
    if (self->hashes) grant_unmap(grant, self->hashes, self->slots * sizeof *self->hashes);
    if (self->left) grant_unmap(grant, (void *)self->left, self->slots * sizeof *self->left);
    self->hashes = NULL;
    self->left = NULL;
    self->slots = 0;
}
