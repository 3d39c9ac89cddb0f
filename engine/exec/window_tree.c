/*
 * window_tree.c - a tree of aggregate states over one partition, for frames that slide.
 *
 * A leaf is the state of so many consecutive rows, a node above that of FAN_OUT states below it. The
 * aggregate of any range of rows is put together from the rows before its first whole leaf, a few states
 * of each level, and the rows behind its last leaf, always in the order of the rows: O(log n) steps.
 * (Segment tree; Leis et al., Efficient Processing of Window Functions in Analytical SQL Queries, 2015.)
 *
 * Memory: 1.15 states per leaf. Where the grant refuses that, leaves are made larger.
 */
#include "engine/exec/window.h"

#define FAN_OUT    8
#define LEAF_ROWS  64
#define LEAST_SIZE (UINT64_C(64) * 1024) /* of a tree that is not worth larger leaves */

static uint64_t tree_shape(WindowTree *self, uint64_t rows) {
    uint64_t n = (rows + self->leaf - 1) / self->leaf, total = 0;
    self->nlevels = 0;
    for (;; n = (n + FAN_OUT - 1) / FAN_OUT) {
        self->count[self->nlevels++] = n;
        total += n;
        if (n <= FAN_OUT) return total;
    }
}

static Status tree_room(WindowTree *self, const WindowTreeSpec *spec, uint64_t rows, Error *err) {
    Grant *grant = &spec->source->shared->sort.grant;
    uint64_t states;
    for (self->leaf = LEAF_ROWS;; self->leaf *= 4) {
        states = tree_shape(self, rows);
        bool small = states * spec->stride <= LEAST_SIZE;
        TRY(block_new(grant, states * spec->stride, small, &self->memory, err));
        if (self->memory.data) break;
    }
    uint8_t *at = self->memory.data;
    for (uint32_t l = 0; l < self->nlevels; l++) {
        self->level[l] = at;
        at += self->count[l] * spec->stride;
    }
    for (uint64_t s = 0; s < states; s++)
        memcpy((uint8_t *)self->memory.data + s * spec->stride, spec->initial, spec->stride);
    return TRIB_OK;
}

static inline uint8_t *tree_state(const WindowTree *self, const WindowTreeSpec *spec,
                                  uint32_t level, uint64_t i) {
    return self->level[level] + i * spec->stride;
}

Status window_tree_make(WindowTree *self, const WindowTreeSpec *spec, Error *err) {
    uint64_t start = spec->source->part_start, end = spec->source->part_end;
    window_tree_clear(self, spec);
    TRY(tree_room(self, spec, end - start, err));
    TRY_ALLOC(self->arena, arena_new(NULL), err);
    arena_set_charge(self->arena, allowance_charge, spec->values);
    self->start = start;
    for (uint64_t i = 0; i < self->count[0]; i++) {
        uint64_t from = start + i * self->leaf;
        uint64_t to = end - from < self->leaf ? end : from + self->leaf;
        TRY(window_aggregate_add(spec->owner, 0, from, to, tree_state(self, spec, 0, i),
                                 self->arena, err));
    }
    for (uint32_t l = 1; l < self->nlevels; l++) {
        for (uint64_t i = 0; i < self->count[l - 1]; i++)
            TRY(spec->aggregate->combine(spec->aggregate, tree_state(self, spec, l, i / FAN_OUT),
                                         tree_state(self, spec, l - 1, i), self->arena, err));
        TRY(cancel_check(spec->source->query->cancel, err));
    }
    self->made = true;
    return TRIB_OK;
}

void window_tree_clear(WindowTree *self, const WindowTreeSpec *spec) {
    Grant *grant = &spec->source->shared->sort.grant;
    block_free(grant, &self->memory);
    arena_free(self->arena);
    self->arena = NULL;
    self->made = false;
}

/* The states [from, to) of the leaves, combined in order: on the way up those at the left are taken at
 * once, those at the right are remembered. */
static Status tree_middle(const WindowTree *self, const WindowTreeSpec *spec, uint64_t from,
                          uint64_t to, uint8_t *state, Arena *arena, Error *err) {
    const uint8_t *right[COUNT_OF(self->level) * FAN_OUT];
    uint32_t nright = 0;
    for (uint32_t l = 0; from < to; l++) {
        bool top = l + 1 == self->nlevels;
        for (; from < to && (top || from % FAN_OUT != 0); from++)
            TRY(spec->aggregate->combine(spec->aggregate, state, tree_state(self, spec, l, from),
                                         arena, err));
        while (from < to && to % FAN_OUT != 0) right[nright++] = tree_state(self, spec, l, --to);
        from /= FAN_OUT;
        to /= FAN_OUT;
    }
    while (nright > 0)
        TRY(spec->aggregate->combine(spec->aggregate, state, right[--nright], arena, err));
    return TRIB_OK;
}

Status window_tree_query(const WindowTree *self, const WindowTreeSpec *spec, uint64_t from,
                         uint64_t to, uint8_t *state, Arena *arena, Error *err) {
    uint64_t first = (from - self->start + self->leaf - 1) / self->leaf;
    uint64_t last = (to - self->start) / self->leaf;
    if (first >= last) return window_aggregate_add(spec->owner, 0, from, to, state, arena, err);
    TRY(window_aggregate_add(spec->owner, 0, from, self->start + first * self->leaf, state, arena,
                             err));
    TRY(tree_middle(self, spec, first, last, state, arena, err));
    return window_aggregate_add(spec->owner, 1, self->start + last * self->leaf, to, state, arena,
                                err);
}
