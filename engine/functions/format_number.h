/*
 * format_number.h - numbers as decimal digits, rounded half up at any place: for format().
 */
#ifndef TRIB_FUNCTIONS_FORMAT_NUMBER_H
#define TRIB_FUNCTIONS_FORMAT_NUMBER_H

#include "engine/functions/helpers.h"

#define DIGITS_MAX 64

/* 0.d1d2d3... * 10^point; count 0 = zero. */
typedef struct Digits {
    char at[DIGITS_MAX];
    int32_t count, point;
    bool negative;
} Digits;

/* Reads "-123.45", "1.0E-10": what decimal_format and double_format write. */
Digits digits_of(Str text);
/* Keeps the first `keep` digits (may be negative), rounded half up. */
void digits_round(Digits *self, int64_t keep);
/* Appends the number without its sign with `fraction` digits after the point; `group`: commas every three. */
void digits_fixed(const Digits *self, int64_t fraction, bool group, Buf *out);
/* Appends d.ddde+XX with `fraction` digits after the point, without the sign. */
void digits_scientific(const Digits *self, int64_t fraction, bool upper, Buf *out);

#endif
