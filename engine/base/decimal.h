/*
 * decimal.h - exact decimals: a 128-bit unscaled integer with a scale known from the type.
 * Rounding is half up (away from zero), as in Trino. No function allocates.
 */
#ifndef TRIB_BASE_DECIMAL_H
#define TRIB_BASE_DECIMAL_H

#include "engine/base/text.h"

typedef __int128 Int128;
typedef unsigned __int128 UInt128;

#define DECIMAL_MAX_DIGITS 38
#define DECIMAL_TEXT_MAX   48 /* "-0." + 38 digits + NUL fits */

typedef enum { DECIMAL_OK, DECIMAL_OVERFLOW, DECIMAL_DIVIDE_BY_ZERO, DECIMAL_SYNTAX } DecimalResult;

extern const Int128 decimal_powers[DECIMAL_MAX_DIGITS + 1]; /* 10^0 .. 10^38 */

bool decimal_fits(Int128 value, uint8_t precision); /* |value| < 10^precision */
/* Changes the scale, rounding half up. OVERFLOW if the result needs more than 38 digits. */
DecimalResult decimal_rescale(Int128 value, int from_scale, int to_scale, Int128 *out);
DecimalResult decimal_add(Int128 a, Int128 b, Int128 *out);
DecimalResult decimal_multiply(Int128 a, Int128 b, int drop_digits,
                               Int128 *out); /* a*b / 10^drop, 256-bit inside */
/* a * 10^raise / b rounded half up. */
DecimalResult decimal_divide(Int128 a, Int128 b, int raise_digits, Int128 *out);
DecimalResult decimal_modulus(Int128 a, int a_scale, Int128 b, int b_scale,
                              Int128 *out); /* scale max(a, b) */
/* Digits, one point, optional sign and exponent, optional surrounding blanks. Rounds half up to
 * `scale`. */
DecimalResult decimal_parse(Str text, uint8_t precision, int scale, Int128 *out);
/* Canonical text with exactly `scale` fraction digits; returns the length, NUL-terminated. */
size_t decimal_format(Int128 value, int scale, char out[DECIMAL_TEXT_MAX]);
double decimal_to_double(Int128 value, int scale); /* correctly rounded */
/* Rounds the shortest decimal text of the value (1.005 is 1.005, as BigDecimal.valueOf has it).
 * SYNTAX for NaN and infinities. */
DecimalResult decimal_from_double(double value, uint8_t precision, int scale, Int128 *out);

#endif
