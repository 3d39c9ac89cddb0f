/*
 * sort_order.c - sorting entries in place.
 *
 * Large ranges are split by one byte of the key after the other (radix from the front, "American
 * flag": count, then swap each entry into its bucket); bytes that are the same in a whole range
 * cost one counting pass. Ranges that are small, or whose keys are used up but not exact, are
 * sorted by comparison: quicksort around the median of three, insertion for the last few, heapsort
 * should the partitions degenerate. One set of functions per number of key words.
 */
#include "engine/exec/sort.h"

#define RADIX_LEAST    512
#define INSERTION_MOST 20
#define CANCEL_ROWS    65536

typedef struct Sorter {
    const SortSpec *spec;
    bool exact;
    CancelToken *cancel;
} Sorter;

#define DEFINE_SORT(W)                                                                             \
    typedef struct Entry##W {                                                                      \
        uint64_t key[W];                                                                           \
        uint64_t row;                                                                              \
    } Entry##W;                                                                                    \
                                                                                                   \
    static inline bool less_##W(const Sorter *self, const Entry##W *a, const Entry##W *b) {        \
        for (int w = 0; w < W; w++)                                                                \
            if (a->key[w] != b->key[w]) return a->key[w] < b->key[w];                              \
        if (self->exact) return false;                                                             \
        return sort_rows_compare(self->spec, (const uint8_t *)(uintptr_t)a->row,                   \
                                 (const uint8_t *)(uintptr_t)b->row) < 0;                          \
    }                                                                                              \
                                                                                                   \
    static inline void swap_##W(Entry##W *a, Entry##W *b) {                                        \
        Entry##W t = *a;                                                                           \
        *a = *b;                                                                                   \
        *b = t;                                                                                    \
    }                                                                                              \
                                                                                                   \
    static void insertion_##W(const Sorter *self, Entry##W *e, uint64_t n) {                       \
        for (uint64_t i = 1; i < n; i++) {                                                         \
            Entry##W moving = e[i];                                                                \
            uint64_t j = i;                                                                        \
            for (; j > 0 && less_##W(self, &moving, &e[j - 1]); j--) e[j] = e[j - 1];              \
            e[j] = moving;                                                                         \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void sift_##W(const Sorter *self, Entry##W *e, uint64_t root, uint64_t n) {             \
        for (uint64_t child; (child = 2 * root + 1) < n; root = child) {                           \
            if (child + 1 < n && less_##W(self, &e[child], &e[child + 1])) child++;                \
            if (!less_##W(self, &e[root], &e[child])) return;                                      \
            swap_##W(&e[root], &e[child]);                                                         \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void heap_##W(const Sorter *self, Entry##W *e, uint64_t n) {                            \
        for (uint64_t i = n / 2; i-- > 0;) sift_##W(self, e, i, n);                                \
        for (uint64_t i = n; i-- > 1;) {                                                           \
            swap_##W(&e[0], &e[i]);                                                                \
            sift_##W(self, e, 0, i);                                                               \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    static void quick_##W(const Sorter *self, Entry##W *e, uint64_t n, int depth) {                \
        while (n > INSERTION_MOST) {                                                               \
            if (depth-- == 0) {                                                                    \
                heap_##W(self, e, n);                                                              \
                return;                                                                            \
            }                                                                                      \
            Entry##W *middle = &e[n / 2], *last = &e[n - 1];                                       \
            if (less_##W(self, middle, e)) swap_##W(middle, e);                                    \
            if (less_##W(self, last, middle)) {                                                    \
                swap_##W(last, middle);                                                            \
                if (less_##W(self, middle, e)) swap_##W(middle, e);                                \
            }                                                                                      \
            Entry##W pivot = *middle;                                                              \
            uint64_t i = 0, j = n - 1;                                                             \
            for (;;) {                                                                             \
                while (less_##W(self, &e[i], &pivot)) i++;                                         \
                while (less_##W(self, &pivot, &e[j])) j--;                                         \
                if (i >= j) break;                                                                 \
                swap_##W(&e[i++], &e[j--]);                                                        \
            }                                                                                      \
            uint64_t left = j + 1; /* [0, left) <= pivot <= [left, n) */                           \
            if (left < n - left) {                                                                 \
                quick_##W(self, e, left, depth);                                                   \
                e += left;                                                                         \
                n -= left;                                                                         \
            } else {                                                                               \
                quick_##W(self, e + left, n - left, depth);                                        \
                n = left;                                                                          \
            }                                                                                      \
        }                                                                                          \
        insertion_##W(self, e, n);                                                                 \
    }                                                                                              \
                                                                                                   \
    static void compare_sort_##W(const Sorter *self, Entry##W *e, uint64_t n) {                    \
        int depth = 2;                                                                             \
        for (uint64_t m = n; m > 1; m /= 2) depth += 2;                                            \
        quick_##W(self, e, n, depth);                                                              \
    }                                                                                              \
                                                                                                   \
    static Status radix_##W(const Sorter *self, Entry##W *e, uint64_t n, uint32_t byte,            \
                            const uint64_t *varying, Error *err) {                                 \
        uint64_t count[256], next[256], end[256];                                                  \
        if (n > CANCEL_ROWS) TRY(cancel_check(self->cancel, err));                                 \
        for (;; byte++) {                                                                          \
            if (n < RADIX_LEAST || byte == W * 8) {                                                \
                if (byte < W * 8 || !self->exact) compare_sort_##W(self, e, n);                    \
                return TRIB_OK;                                                                    \
            }                                                                                      \
            uint32_t word = byte / 8, shift = 56 - 8 * (byte % 8);                                 \
            if (((varying[word] >> shift) & 255) == 0) continue;                                   \
            memset(count, 0, sizeof count);                                                        \
            for (uint64_t i = 0; i < n; i++) count[(e[i].key[word] >> shift) & 255]++;             \
            if (count[(e[0].key[word] >> shift) & 255] == n) continue;                             \
            uint64_t at = 0;                                                                       \
            for (int b = 0; b < 256; b++) {                                                        \
                next[b] = at;                                                                      \
                at += count[b];                                                                    \
                end[b] = at;                                                                       \
            }                                                                                      \
            for (int b = 0; b < 256; b++) {                                                        \
                while (next[b] < end[b]) {                                                         \
                    Entry##W moving = e[next[b]];                                                  \
                    uint32_t to;                                                                   \
                    while ((to = (moving.key[word] >> shift) & 255) != (uint32_t)b)                \
                        swap_##W(&moving, &e[next[to]++]);                                         \
                    e[next[b]++] = moving;                                                         \
                }                                                                                  \
            }                                                                                      \
            for (int b = 0; b < 256; b++)                                                          \
                if (count[b] > 1)                                                                  \
                    TRY(radix_##W(self, e + end[b] - count[b], count[b], byte + 1, varying, err)); \
            return TRIB_OK;                                                                        \
        }                                                                                          \
    }                                                                                              \
                                                                                                   \
    /* Which bits of the keys differ at all: bytes without any are never looked at. */             \
    static Status sort_##W(const Sorter *self, Entry##W *e, uint64_t n, Error *err) {              \
        uint64_t varying[W] = {0};                                                                 \
        for (uint64_t i = 1; i < n; i++)                                                           \
            for (int w = 0; w < W; w++) varying[w] |= e[i].key[w] ^ e[0].key[w];                   \
        return radix_##W(self, e, n, 0, varying, err);                                             \
    }

DEFINE_SORT(1)
DEFINE_SORT(2)
DEFINE_SORT(3)
DEFINE_SORT(4)

Status sort_entries(const SortSpec *self, uint64_t *entries, uint64_t count, bool exact,
                    CancelToken *cancel, Error *err) {
    Sorter sorter = {.spec = self, .exact = exact, .cancel = cancel};
    switch (self->words) {
    case 1: return sort_1(&sorter, (Entry1 *)entries, count, err);
    case 2: return sort_2(&sorter, (Entry2 *)entries, count, err);
    case 3: return sort_3(&sorter, (Entry3 *)entries, count, err);
    default: return sort_4(&sorter, (Entry4 *)entries, count, err);
    }
}
