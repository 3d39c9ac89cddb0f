/*
 * decimal.c - exact decimals over 128-bit integers with 256-bit intermediates.
 *
 * Products are formed as 256 bits and divided back (Knuth, TAOCP 2, 4.3.1, algorithm D, for a
 * divisor of at most two 64-bit words), so that a result is refused only if the result itself has
 * more than 38 digits. Magnitudes are worked on, the sign is put back last: rounding is half away
 * from zero. Powers of ten are even, which makes division in steps round like one division: the
 * fraction of x / (m n) reaches one half exactly if that of floor(x / m) / n does, when n is even.
 */
#include <math.h>

#include "engine/base/decimal.h"
#include "engine/base/number.h"

#define P10_9                INT64_C(1000000000)
#define P10_19               UINT64_C(10000000000000000000)
#define WIDE(digits19, rest) ((Int128)(digits19) * (rest))

const Int128 decimal_powers[DECIMAL_MAX_DIGITS + 1] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    P10_9,
    P10_9 * 10,
    P10_9 * 100,
    P10_9 * 1000,
    P10_9 * 10000,
    P10_9 * 100000,
    P10_9 * 1000000,
    P10_9 * 10000000,
    P10_9 * 100000000,
    P10_9 *P10_9,
    WIDE(P10_19, 1),
    WIDE(P10_19, 10),
    WIDE(P10_19, 100),
    WIDE(P10_19, 1000),
    WIDE(P10_19, 10000),
    WIDE(P10_19, 100000),
    WIDE(P10_19, 1000000),
    WIDE(P10_19, 10000000),
    WIDE(P10_19, 100000000),
    WIDE(P10_19, P10_9),
    WIDE(P10_19, P10_9 * 10),
    WIDE(P10_19, P10_9 * 100),
    WIDE(P10_19, P10_9 * 1000),
    WIDE(P10_19, P10_9 * 10000),
    WIDE(P10_19, P10_9 * 100000),
    WIDE(P10_19, P10_9 * 1000000),
    WIDE(P10_19, P10_9 * 10000000),
    WIDE(P10_19, P10_9 * 100000000),
    WIDE(P10_19, P10_9 *P10_9),
    WIDE(P10_19, P10_19),
};

typedef struct Wide {
    UInt128 low, high;
} Wide;

static inline UInt128 magnitude(Int128 value) {
    return value < 0 ? 0 - (UInt128)value : (UInt128)value;
}

static inline UInt128 power(int digits) {
    return (UInt128)decimal_powers[digits];
}

/* The signed result, or OVERFLOW if it has more than 38 digits. */
static inline DecimalResult signed_result(UInt128 value, bool negative, Int128 *out) {
    if (value >= power(DECIMAL_MAX_DIGITS)) return DECIMAL_OVERFLOW;
    *out = negative ? -(Int128)value : (Int128)value;
    return DECIMAL_OK;
}

static Wide wide_product(UInt128 a, UInt128 b) {
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64);
    uint64_t b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    UInt128 p00 = (UInt128)a0 * b0, p01 = (UInt128)a0 * b1;
    UInt128 p10 = (UInt128)a1 * b0, p11 = (UInt128)a1 * b1;
    UInt128 middle = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;
    return (Wide){.low = middle << 64 | (uint64_t)p00,
                  .high = p11 + (p01 >> 64) + (p10 >> 64) + (middle >> 64)};
}

/* One digit of algorithm D: (u2 u1 u0) / (v1 v0) with v1's top bit set and the quotient below
 * 2^64. */
static uint64_t digit_divide(uint64_t u[3], uint64_t v1, uint64_t v0) {
    UInt128 top = (UInt128)u[2] << 64 | u[1];
    UInt128 guess, rest;
    if (u[2] >= v1) {
        guess = UINT64_MAX;
        rest = top - guess * v1;
    } else {
        guess = top / v1;
        rest = top % v1;
    }
    while ((rest >> 64) == 0 && guess * v0 > (rest << 64 | u[0])) {
        guess--;
        rest += v1;
    }
    UInt128 below = guess * v0;
    UInt128 value = (UInt128)u[1] << 64 | u[0];
    /* The difference fits 128 bits: it is below the divisor. */
    value -= below + ((UInt128)(uint64_t)(guess * v1) << 64);
    u[0] = (uint64_t)value;
    u[1] = (uint64_t)(value >> 64);
    u[2] = 0;
    return (uint64_t)guess;
}

/* a / b with b > 0; the quotient may have 256 bits. */
static Wide wide_divide(Wide a, UInt128 b, UInt128 *remainder) {
    if (a.high == 0) {
        *remainder = a.low % b;
        return (Wide){a.low / b, 0};
    }
    uint64_t words[5] = {(uint64_t)a.low, (uint64_t)(a.low >> 64), (uint64_t)a.high,
                         (uint64_t)(a.high >> 64), 0};
    uint64_t quotient[4] = {0};
    if ((b >> 64) == 0) {
        uint64_t rest = 0;
        for (int i = 3; i >= 0; i--) {
            UInt128 part = (UInt128)rest << 64 | words[i];
            quotient[i] = (uint64_t)(part / (uint64_t)b);
            rest = (uint64_t)(part % (uint64_t)b);
        }
        *remainder = rest;
    } else {
        int shift = __builtin_clzll((uint64_t)(b >> 64));
        b <<= shift;
        if (shift) {
            words[4] = words[3] >> (64 - shift);
            for (int i = 3; i > 0; i--) words[i] = words[i] << shift | words[i - 1] >> (64 - shift);
            words[0] <<= shift;
        }
        for (int i = 2; i >= 0; i--)
            quotient[i] = digit_divide(words + i, (uint64_t)(b >> 64), (uint64_t)b);
        *remainder = ((UInt128)words[1] << 64 | words[0]) >> shift;
    }
    return (Wide){(UInt128)quotient[1] << 64 | quotient[0],
                  (UInt128)quotient[3] << 64 | quotient[2]};
}

/* a / b, half up; false if the quotient needs more than 128 bits. */
static bool wide_divide_half_up(Wide a, UInt128 b, UInt128 *out) {
    UInt128 rest;
    Wide quotient = wide_divide(a, b, &rest);
    if (quotient.high != 0) return false;
    bool up = rest >= b - rest;
    if (up && quotient.low == ~(UInt128)0) return false;
    *out = quotient.low + up;
    return true;
}

bool decimal_fits(Int128 value, uint8_t precision) {
    if (precision > DECIMAL_MAX_DIGITS) precision = DECIMAL_MAX_DIGITS;
    Int128 bound = decimal_powers[precision];
    return value < bound && value > -bound;
}

DecimalResult decimal_rescale(Int128 value, int from_scale, int to_scale, Int128 *out) {
    UInt128 size = magnitude(value);
    int64_t more = (int64_t)to_scale - from_scale;
    if (size == 0) {
        *out = 0;
        return DECIMAL_OK;
    }
    if (more < -DECIMAL_MAX_DIGITS) {
        *out = 0; /* at most 1.7e38, divided by 10^39 or more */
        return DECIMAL_OK;
    }
    if (more < 0) {
        UInt128 divisor = power((int)-more), rest = size % divisor;
        return signed_result(size / divisor + (rest >= divisor - rest), value < 0, out);
    }
    if (more > DECIMAL_MAX_DIGITS || size >= power(DECIMAL_MAX_DIGITS - (int)more))
        return DECIMAL_OVERFLOW;
    return signed_result(size * power((int)more), value < 0, out);
}

DecimalResult decimal_add(Int128 a, Int128 b, Int128 *out) {
    Int128 sum;
    if (__builtin_add_overflow(a, b, &sum) || !decimal_fits(sum, DECIMAL_MAX_DIGITS))
        return DECIMAL_OVERFLOW;
    *out = sum;
    return DECIMAL_OK;
}

DecimalResult decimal_multiply(Int128 a, Int128 b, int drop_digits, Int128 *out) {
    bool negative = (a < 0) != (b < 0);
    UInt128 x = magnitude(a), y = magnitude(b), result;
    Wide product;
    if (((x | y) >> 63) == 0)
        product = (Wide){(UInt128)(uint64_t)x * (uint64_t)y, 0};
    else
        product = wide_product(x, y);
    while (drop_digits > DECIMAL_MAX_DIGITS) {
        UInt128 rest;
        int some = drop_digits - 1 < DECIMAL_MAX_DIGITS ? drop_digits - 1 : DECIMAL_MAX_DIGITS;
        product = wide_divide(product, power(some), &rest);
        drop_digits -= some;
    }
    if (drop_digits <= 0) {
        if (product.high != 0) return DECIMAL_OVERFLOW;
        return signed_result(product.low, negative, out);
    }
    if (!wide_divide_half_up(product, power(drop_digits), &result)) return DECIMAL_OVERFLOW;
    return signed_result(result, negative, out);
}

DecimalResult decimal_divide(Int128 a, Int128 b, int raise_digits, Int128 *out) {
    if (b == 0) return DECIMAL_DIVIDE_BY_ZERO;
    bool negative = (a < 0) != (b < 0);
    UInt128 x = magnitude(a), y = magnitude(b), result, rest;
    if (x == 0) {
        *out = 0;
        return DECIMAL_OK;
    }
    if (raise_digits < 0) {
        Int128 whole =
            (Int128)(x / y); /* at most 2^127: as an Int128 only -2^127 / 1 is that large */
        if (whole < 0) return DECIMAL_OVERFLOW;
        DecimalResult done = decimal_rescale(whole, -raise_digits, 0, out);
        if (done == DECIMAL_OK && negative) *out = -*out;
        return done;
    }
    int first = raise_digits < DECIMAL_MAX_DIGITS ? raise_digits : DECIMAL_MAX_DIGITS;
    Wide raised = wide_product(x, power(first));
    for (int i = first; i < raise_digits; i++) {
        /* Beyond 2^256 / 10 the quotient has more than 38 digits whatever b is. */
        if (raised.high > ~(UInt128)0 / 10) return DECIMAL_OVERFLOW;
        Wide low = wide_product(raised.low, 10);
        UInt128 high = raised.high * 10;
        if (high > ~(UInt128)0 - low.high) return DECIMAL_OVERFLOW;
        raised = (Wide){low.low, high + low.high};
    }
    if (raised.high == 0) {
        result = raised.low / y;
        rest = raised.low % y;
        return signed_result(result + (rest >= y - rest), negative, out);
    }
    if (!wide_divide_half_up(raised, y, &result)) return DECIMAL_OVERFLOW;
    return signed_result(result, negative, out);
}

DecimalResult decimal_modulus(Int128 a, int a_scale, Int128 b, int b_scale, Int128 *out) {
    if (b == 0) return DECIMAL_DIVIDE_BY_ZERO;
    UInt128 x = magnitude(a), y = magnitude(b), rest;
    if (a_scale < b_scale) {
        rest = x % y;
        for (int left = b_scale - a_scale; left > 0;) {
            int step = left < DECIMAL_MAX_DIGITS ? left : DECIMAL_MAX_DIGITS;
            wide_divide(wide_product(rest, power(step)), y, &rest);
            left -= step;
        }
    } else {
        int more = a_scale - b_scale;
        Wide scaled = more <= DECIMAL_MAX_DIGITS ? wide_product(y, power(more)) : (Wide){0, 1};
        rest = scaled.high != 0 || scaled.low > x ? x : x % scaled.low;
    }
    return signed_result(rest, a < 0, out);
}

/* ---------------------------------------------------------------- text */

typedef struct DecimalScan {
    Str text;            /* from the first significant digit */
    int64_t significant; /* digits from there on */
    int64_t exponent;    /* power of ten of the last one */
    bool negative;
} DecimalScan;

static bool decimal_scan(Str text, DecimalScan *out) {
    size_t at = 0;
    bool any = false, point = false;
    *out = (DecimalScan){.text = {text.data, 0}};
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        out->negative = text.data[at++] == '-';
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        any = true;
        out->exponent -= point;
        if (out->significant == 0) {
            if (c == '0') continue;
            out->text.data = text.data + at;
        }
        out->significant++;
        out->text.len = (size_t)(text.data + at + 1 - out->text.data);
    }
    if (!any) return false;
    if (at == text.len) return true;
    if (text.data[at] != 'e' && text.data[at] != 'E') return false;
    bool negative = false;
    at++;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        negative = text.data[at++] == '-';
    if (at == text.len) return false;
    int64_t written = 0;
    for (; at < text.len; at++) {
        if (text.data[at] < '0' || text.data[at] > '9') return false;
        if (written < INT64_C(1) << 55) written = written * 10 + (text.data[at] - '0');
    }
    out->exponent += negative ? -written : written;
    return true;
}

DecimalResult decimal_parse(Str text, uint8_t precision, int scale, Int128 *out) {
    DecimalScan scan;
    if (!decimal_scan(str_trim(text), &scan)) return DECIMAL_SYNTAX;
    /* Digits of the result before rounding. */
    int64_t keep = scan.significant + scan.exponent + scale;
    if (scan.significant == 0 || keep < 0) {
        *out = 0;
        return DECIMAL_OK;
    }
    if (keep > precision || keep > DECIMAL_MAX_DIGITS) return DECIMAL_OVERFLOW;
    UInt128 value = 0;
    size_t at = 0;
    int64_t taken = 0;
    bool up = false;
    for (; at < scan.text.len && taken <= keep; at++) {
        char c = scan.text.data[at];
        if (c == '.') continue;
        if (taken == keep)
            up = c >= '5';
        else
            value = value * 10 + (UInt128)(c - '0');
        taken++;
    }
    if (taken < keep) value *= power((int)(keep - taken));
    DecimalResult result = signed_result(value + up, scan.negative, out);
    if (result != DECIMAL_OK) return result;
    return decimal_fits(*out, precision) ? DECIMAL_OK : DECIMAL_OVERFLOW;
}

size_t decimal_format(Int128 value, int scale, char out[DECIMAL_TEXT_MAX]) {
    char digits[64];
    char *end = digits + sizeof digits, *begin;
    UInt128 size = magnitude(value);
    if ((size >> 64) == 0) {
        begin = digits_before(end, (uint64_t)size);
    } else {
        /* 2^127 < 1.8 * 10^19 * 10^19: both halves fit 64 bits; the lower one has 19 digits. */
        begin = digits_before(end, (uint64_t)(size % P10_19));
        while (begin > end - 19) *--begin = '0';
        begin = digits_before(begin, (uint64_t)(size / P10_19));
    }
    if (scale < 0) scale = 0;
    if (scale > DECIMAL_MAX_DIGITS) scale = DECIMAL_MAX_DIGITS;
    while (end - begin <= scale) *--begin = '0';
    char *at = out;
    if (value < 0) *at++ = '-';
    size_t whole = (size_t)(end - begin - scale);
    memcpy(at, begin, whole);
    at += whole;
    if (scale > 0) {
        *at++ = '.';
        memcpy(at, end - scale, (size_t)scale);
        at += scale;
    }
    *at = '\0';
    return (size_t)(at - out);
}

/* ---------------------------------------------------------------- binary floating point */

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double decimal_to_double(Int128 value, int scale) {
    UInt128 size = magnitude(value);
    if (size <= (UInt128)1 << 53 && scale >= 0 && scale < (int)COUNT_OF(exact_powers))
        return (double)(int64_t)value / exact_powers[scale]; /* both exact: one rounding */
    if (scale == 0) return (double)value;                    /* the conversion rounds to nearest */
    char text[DECIMAL_TEXT_MAX];
    double out = 0;
    size_t length = decimal_format(value, scale, text);
    (void)double_parse((Str){text, length}, &out); /* a decimal cannot be out of a double's range */
    return out;
}

DecimalResult decimal_from_double(double value, uint8_t precision, int scale, Int128 *out) {
    char text[NUMBER_TEXT_MAX];
    if (!isfinite(value)) return DECIMAL_SYNTAX;
    size_t length = double_format(value, text);
    return decimal_parse((Str){text, length}, precision, scale, out);
}
