/*
 * number.h - integers and floating-point numbers to and from text, independent of the locale.
 */
#ifndef TRIB_BASE_NUMBER_H
#define TRIB_BASE_NUMBER_H

#include "engine/base/text.h"

/* From here on a double rounds to an infinite float: 3.4028235E38, as FLT_MAX is written, lies below. */
#define FLOAT_LIMIT     0x1.ffffffp127
#define NUMBER_TEXT_MAX 32

typedef enum { NUMBER_OK, NUMBER_SYNTAX, NUMBER_RANGE } NumberResult;

/* Optional sign, digits, nothing else. */
NumberResult int64_parse(Str text, int64_t *out);
size_t int64_format(int64_t value,
                    char out[NUMBER_TEXT_MAX]); /* returns the length; NUL-terminated */
/* Writes the digits of a number so that they end before `end` (20 bytes at most); returns where they
 * begin. No NUL. */
char *digits_before(char *end, uint64_t value);
/* Decimal or exponent notation, "NaN", "Infinity", "+Infinity", "-Infinity" (any case). Correctly
 * rounded. */
NumberResult double_parse(Str text, double *out);
NumberResult float_parse(Str text, float *out);
/* The shortest text that reads back as the same value, in Trino's form: 1.0E10, 0.001, 1.0E-4, NaN,
 * Infinity. */
size_t double_format(double value, char out[NUMBER_TEXT_MAX]);
size_t float_format(float value, char out[NUMBER_TEXT_MAX]);

#endif
