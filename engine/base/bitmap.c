/*
 * bitmap.c - whole-bitmap operations, a word at a time.
 */
#include <string.h>

#include "engine/base/bitmap.h"

void bitmap_fill(uint64_t *bits, size_t n, bool value) {
    size_t words = n / 64, rest = n % 64;
    if (words) memset(bits, value ? 0xFF : 0, words * sizeof *bits);
    if (rest) {
        uint64_t mask = ((uint64_t)1 << rest) - 1;
        bits[words] = value ? bits[words] | mask : bits[words] & ~mask;
    }
}

size_t bitmap_count(const uint64_t *bits, size_t n) {
    size_t words = n / 64, rest = n % 64, count = 0;
    for (size_t i = 0; i < words; i++) count += (size_t)__builtin_popcountll(bits[i]);
    if (rest) {
        uint64_t mask = ((uint64_t)1 << rest) - 1;
        count += (size_t)__builtin_popcountll(bits[words] & mask);
    }
    return count;
}
