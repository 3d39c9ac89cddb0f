/*
 * hash.h - mixing of hash values; the loops over vectors are vector_hash.
 *
 * 64-bit values whose every bit depends on every input bit, so that radix, slot and salt may take
 * disjoint bits. Equal only within one process (the seed).
 */
#ifndef TRIB_VECTOR_HASH_H
#define TRIB_VECTOR_HASH_H

#include <stdint.h>

#define HASH_NULL UINT64_C(0x9ae16a3b2f90404f)

/* Two multiplications and three shifts (the finaliser of degski, public domain constants). */
static inline uint64_t hash_mix(uint64_t x) {
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    x *= UINT64_C(0xd6e8feb86659fd93);
    x ^= x >> 32;
    return x;
}
/* Order matters: hash_combine(a, b) != hash_combine(b, a). */
static inline uint64_t hash_combine(uint64_t hash, uint64_t next) {
    return hash_mix(hash * UINT64_C(0x9e3779b97f4a7c15) + next);
}

#endif
