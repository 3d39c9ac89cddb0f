/*
 * bitmap.h - validity bitmaps: bit i of word i/64 set = row i is valid; little-endian, as in Arrow.
 */
#ifndef TRIB_BASE_BITMAP_H
#define TRIB_BASE_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool bitmap_get(const uint64_t *bits, size_t i) {
    return (bits[i >> 6] >> (i & 63)) & 1;
}
static inline void bitmap_set(uint64_t *bits, size_t i) {
    bits[i >> 6] |= (uint64_t)1 << (i & 63);
}
static inline void bitmap_unset(uint64_t *bits, size_t i) {
    bits[i >> 6] &= ~((uint64_t)1 << (i & 63));
}
static inline size_t bitmap_words(size_t n) {
    return (n + 63) / 64;
}
void bitmap_fill(uint64_t *bits, size_t n, bool value);
size_t bitmap_count(const uint64_t *bits, size_t n); /* bits set among the first n */

#endif
