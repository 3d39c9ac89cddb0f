/*
 * join_filter.c - which values of an integer key the build side has, as a bitmap: probe rows without a
 * partner are dropped before anything is computed for them.
 *
 * While the build side is collected each worker keeps the smallest and the largest value of each key.
 * If the span between them is not too wide, finish() makes a bitmap over it, which is filled in with
 * the tables; if more than every second value is there, or the span is too wide, the bounds alone
 * are tested. Keys without order on the integers (text, 128-bit decimals) have none of this. A filter that
 * lets most rows pass is given up, by each worker for itself.
 *
 * Only for joins that drop probe rows without a match, and only if all build rows stay in memory:
 * what was written to disk is not in the bitmap.
 *
 * Memory: bitmaps against the join's grant; without room there is none. Threads: filling in is
 * atomic where several workers do it; read-only afterwards.
 */
#include "engine/exec/join.h"

#define SPAN_MOST  (UINT64_C(1) << 26) /* bits: 8 MiB */
#define SPAN_LEAST (UINT64_C(1) << 18) /* always worth a bitmap */
#define SPAN_RATIO 512                 /* bits per build row, above that */
#define TRIAL_ROWS 16384               /* after so many rows a filter must have paid */
#define PASS_MOST  0.8

static bool is_integer(PhysicalType physical) {
    return physical == PHYS_INT8 || physical == PHYS_INT16 || physical == PHYS_INT32 ||
           physical == PHYS_INT64;
}

uint64_t join_filterable(const JoinShared *self) {
    bool drops = self->kind == JOIN_INNER || self->kind == JOIN_SEMI || self->kind == JOIN_RIGHT ||
                 self->only_marks;
    uint64_t mask = 0;
    for (uint32_t k = 0; drops && k < self->nkeys; k++) {
        bool usable = is_integer((PhysicalType)self->build_layout->columns[k].physical);
        if (usable && !(self->null_safe >> k & 1)) mask |= UINT64_C(1) << k;
    }
    return mask;
}

/* ---------------------------------------------------------------- bounds */

#define RANGE_LOOP(TYPE)                                             \
    do {                                                             \
        const TYPE *data = (const TYPE *)(const void *)column->data; \
        TYPE low = data[positions[0]], high = low;                   \
        for (uint32_t i = 1; i < count; i++) {                       \
            TYPE value = data[positions[i]];                         \
            low = value < low ? value : low;                         \
            high = value > high ? value : high;                      \
        }                                                            \
        if (low < range->low) range->low = low;                      \
        if (high > range->high) range->high = high;                  \
    } while (0)

void key_range_update(KeyRange *range, PhysicalType physical, const FlatColumn *column,
                      const uint16_t *positions, uint32_t count) {
    if (count == 0) return;
    switch (physical) {
    case PHYS_INT8: RANGE_LOOP(int8_t); break;
    case PHYS_INT16: RANGE_LOOP(int16_t); break;
    case PHYS_INT32: RANGE_LOOP(int32_t); break;
    default: RANGE_LOOP(int64_t); break;
    }
}

void key_range_merge(KeyRange *self, const KeyRange *other) {
    if (other->low < self->low) self->low = other->low;
    if (other->high > self->high) self->high = other->high;
}

/* ---------------------------------------------------------------- making */

static bool span_pays(uint64_t span, uint64_t rows) {
    if (span > SPAN_MOST || rows > span / 2) return false;
    return span <= SPAN_LEAST || span <= rows * SPAN_RATIO;
}

Status join_filters_make(JoinShared *self, Error *err) {
    uint64_t keys = join_filterable(self);
    self->nfilters = 0;
    if (!keys || atomic_load(&self->kept) != 1u << self->bits || self->build_rows == 0)
        return TRIB_OK;
    for (uint32_t k = 0; k < self->nkeys; k++) {
        const KeyRange *range = &self->ranges[k];
        if (!(keys >> k & 1) || range->low > range->high) continue;
        uint64_t last = (uint64_t)range->high - (uint64_t)range->low;
        KeyFilter *filter = &self->filters[self->nfilters++];
        *filter = (KeyFilter){.key = k,
                              .physical = (PhysicalType)self->build_layout->columns[k].physical,
                              .low = range->low,
                              .last = last};
        if (last >= SPAN_MOST || !span_pays(last + 1, self->build_rows)) continue;
        TRY(block_new(&self->grant, bitmap_words(last + 1) * sizeof(uint64_t), false, &filter->bits,
                      err));
    }
    return TRIB_OK;
}

void join_filters_free(JoinShared *self) {
    for (uint32_t f = 0; f < self->nfilters; f++) block_free(&self->grant, &self->filters[f].bits);
}

static inline void bit_set(uint64_t *bits, uint64_t at, bool shared) {
    uint64_t *word = &bits[at / 64], bit = UINT64_C(1) << (at % 64);
    if (!shared)
        *word |= bit;
    else if (!(__atomic_load_n(word, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
}

#define FILL_LOOP(TYPE)                                                                \
    do {                                                                               \
        const TYPE *data = (const TYPE *)(const void *)column->data;                   \
        for (uint32_t i = 0; i < count; i++)                                           \
            bit_set(bits, (uint64_t)(int64_t)data[i] - (uint64_t)filter->low, shared); \
    } while (0)

void join_filters_fill(JoinShared *self, const FlatColumn *keys, uint32_t count) {
    bool shared = self->query->workers > 1;
    for (uint32_t f = 0; f < self->nfilters; f++) {
        const KeyFilter *filter = &self->filters[f];
        const FlatColumn *column = &keys[filter->key];
        uint64_t *bits = filter->bits.data;
        if (!bits) continue;
        switch (filter->physical) {
        case PHYS_INT8: FILL_LOOP(int8_t); break;
        case PHYS_INT16: FILL_LOOP(int16_t); break;
        case PHYS_INT32: FILL_LOOP(int32_t); break;
        default: FILL_LOOP(int64_t); break;
        }
    }
}

/* ---------------------------------------------------------------- testing */

#define TEST_LOOP(TYPE, PASSES)                                         \
    do {                                                                \
        const TYPE *data = (const TYPE *)(const void *)column->data;    \
        if (selection) {                                                \
            for (uint32_t i = 0; i < count; i++) {                      \
                uint16_t position = selection[i];                       \
                uint64_t at = (uint64_t)(int64_t)data[position] - low;  \
                out[kept] = position;                                   \
                kept += (PASSES);                                       \
            }                                                           \
        } else {                                                        \
            for (uint32_t position = 0; position < count; position++) { \
                uint64_t at = (uint64_t)(int64_t)data[position] - low;  \
                out[kept] = (uint16_t)position;                         \
                kept += (PASSES);                                       \
            }                                                           \
        }                                                               \
    } while (0)

#define TEST_TYPES(PASSES)                                  \
    do {                                                    \
        switch (self->physical) {                           \
        case PHYS_INT8: TEST_LOOP(int8_t, PASSES); break;   \
        case PHYS_INT16: TEST_LOOP(int16_t, PASSES); break; \
        case PHYS_INT32: TEST_LOOP(int32_t, PASSES); break; \
        default: TEST_LOOP(int64_t, PASSES); break;         \
        }                                                   \
    } while (0)

uint32_t key_filter_test(const KeyFilter *self, const FlatColumn *column, const uint16_t *selection,
                         uint32_t count, uint16_t *out) {
    const uint64_t *bits = self->bits.data;
    uint64_t low = (uint64_t)self->low, last = self->last;
    uint32_t kept = 0;
    if (!bits) {
        TEST_TYPES(at <= last);
        return kept;
    }
    /* what lies outside looks at the first bit, and does not count */
    TEST_TYPES((at <= last) & (bits[(at <= last ? at : 0) / 64] >> (at % 64) & 1));
    return kept;
}

bool key_trial_pays(KeyTrial *self, uint32_t tested, uint32_t passed) {
    self->tested += tested;
    self->passed += passed;
    if (self->tested < TRIAL_ROWS) return true;
    self->given_up = (double)self->passed > PASS_MOST * (double)self->tested;
    self->tested = self->passed = 0;
    return !self->given_up;
}
