/*
 * sketch.c - the estimate of a sketch (sketch.h).
 */
#include "connectors/memory/sketch.h"

#include <math.h>

#define ALPHA \
    (0.7213 / (1 + 1.079 / SKETCH_BYTES)) /* corrects the bias, for 128 registers and more */

double sketch_count(const uint8_t *registers) {
    double sum = 0, m = SKETCH_BYTES;
    uint32_t empty = 0;
    for (uint32_t i = 0; i < SKETCH_BYTES; i++) {
        sum += ldexp(1, -registers[i]);
        empty += registers[i] == 0;
    }
    double estimate = ALPHA * m * m / sum;
    return estimate <= 2.5 * m && empty ? m * log(m / empty) : estimate;
}
