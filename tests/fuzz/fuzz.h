/*
 * fuzz.h - the entry point of a harness, which libFuzzer calls, and replay.c in other builds.
 */
#ifndef TRIB_FUZZ_H
#define TRIB_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
