/*
 * test_base.h - what the unit tests of the base share.
 */
#ifndef TRIB_TEST_BASE_H
#define TRIB_TEST_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/text.h"

/* xorshift64*: the same numbers on every run. */
static inline uint64_t test_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

#define assert_str(str, literal)                                       \
    do {                                                               \
        Str have_ = (str);                                             \
        assert_int_equal(have_.len, sizeof(literal) - 1);              \
        assert_memory_equal(have_.data, literal, sizeof(literal) - 1); \
    } while (0)

#endif
