/*
 * number.c - numbers to and from text, independent of the locale.
 *
 * Printing follows Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020), the
 * algorithm behind Double.toString since Java 19: the shortest decimal of at least two digits that
 * rounds to the value, the closest one among equals, found with three multiplications by a 128-bit
 * power of ten.
 *
 * Parsing scans the digits once. Up to 19 digits whose power of ten is exact take one multiplication
 * or division (Clinger 1990); up to 19 digits otherwise a product with a 128-bit power of ten, which
 * tells when it cannot decide the rounding (D. Lemire, "Number parsing at a gigabyte per second",
 * 2021). What is left is rewritten as at most 800 significant digits with an integral exponent and read
 * by strtod_l in the C locale, which rounds correctly. Of digits past the 800th only whether one of them
 * differs from zero can matter. No allocation, no state.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/base/number.h"

/* ---------------------------------------------------------------- integers */

NumberResult int64_parse(Str text, int64_t *out) {
    size_t at = 0;
    bool negative = false;
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        negative = text.data[0] == '-';
        at = 1;
    }
    if (at == text.len) return NUMBER_SYNTAX;
    int64_t value = 0;
    bool overflow = false;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned char)text.data[at] - (unsigned)'0';
        if (digit > 9) return NUMBER_SYNTAX;
        /* Counted downwards: the negative range is the larger one. */
        overflow |= __builtin_mul_overflow(value, (int64_t)10, &value);
        overflow |= __builtin_sub_overflow(value, (int64_t)digit, &value);
    }
    if (!negative) overflow |= __builtin_sub_overflow((int64_t)0, value, &value);
    if (overflow) return NUMBER_RANGE;
    *out = value;
    return NUMBER_OK;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

char *digits_before(char *end, uint64_t value) {
    while (value >= 100) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + 2 * value, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

size_t int64_format(int64_t value, char out[NUMBER_TEXT_MAX]) {
    char digits[NUMBER_TEXT_MAX];
    char *end = digits + sizeof digits;
    char *begin = digits_before(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    if (value < 0) *--begin = '-';
    size_t length = (size_t)(end - begin);
    memcpy(out, begin, length);
    out[length] = '\0';
    return length;
}

/* ---------------------------------------------------------------- shortest decimals */

#define POWER_LOW (-292)

typedef struct Power {
    uint64_t high, low;
} Power;

static const Power powers[] = {
#define POWER(high, low) {UINT64_C(high), UINT64_C(low)},
#include "engine/base/number_powers.def"
#undef POWER
};

typedef struct Decimal {
    uint64_t digits;
    int exponent; /* value = digits * 10^exponent */
} Decimal;

static inline int floor_log10_pow2(int e) { /* floor(log10(2^e)) */
    return (e * 1262611) >> 22;
}
static inline int floor_log10_pow2_three_quarters(int e) { /* floor(log10(3/4 * 2^e)) */
    return (e * 1262611 - 524031) >> 22;
}
static inline int floor_log2_pow10(int e) { /* floor(log2(10^e)) */
    return (e * 1741647) >> 19;
}

/* The upper bits of a product, made odd if any bit below them is set ("round to odd"). */
static inline uint64_t product_double(Power g, uint64_t c) {
    unsigned __int128 low = (unsigned __int128)g.low * c;
    unsigned __int128 high = (unsigned __int128)g.high * c + (uint64_t)(low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}
static inline uint64_t product_float(Power g, uint64_t c) {
    unsigned __int128 product = (unsigned __int128)(g.high + 1) * c;
    return (uint64_t)(product >> 64) | ((uint32_t)(product >> 32) > 1);
}

/* The decimal for c * 2^q. `irregular`: the lower neighbour is only half as far away. */
static inline Decimal shortest(uint64_t c, int q, bool irregular, bool narrow) {
    uint64_t odd = c & 1;
    int k = irregular ? floor_log10_pow2_three_quarters(q) : floor_log10_pow2(q);
    int h = q + floor_log2_pow10(-k) + 1;
    Power g = powers[-k - POWER_LOW];
    uint64_t cb = c << 2;
    uint64_t (*product)(Power, uint64_t) = narrow ? product_float : product_double;
    uint64_t lower = product(g, (cb - 2 + irregular) << h) + odd;
    uint64_t middle = product(g, cb << h);
    uint64_t upper = product(g, (cb + 2) << h) - odd;
    uint64_t s = middle >> 2;
    if (s >= 100) {
        uint64_t tens = s / 10;
        bool down = lower <= 40 * tens;
        bool up = 40 * tens + 40 <= upper;
        if (down != up) return (Decimal){tens + up, k + 1};
    }
    bool down = lower <= 4 * s;
    bool up = 4 * s + 4 <= upper;
    if (down != up) return (Decimal){s + up, k};
    uint64_t half = 4 * s + 2;
    return (Decimal){s + (middle > half || (middle == half && (s & 1))), k};
}

/* Java's layout: plain from 0.001 up to 10^7, else one digit, point, digits, E, exponent. */
static size_t decimal_layout(Decimal value, bool negative, char *out) {
    char room[NUMBER_TEXT_MAX];
    char *end = room + sizeof room;
    char *digits = digits_before(end, value.digits);
    while (end - digits > 1 && end[-1] == '0') {
        end--;
        value.exponent++;
    }
    int count = (int)(end - digits);
    int point = count + value.exponent; /* digits before the point */
    char *at = out;
    if (negative) *at++ = '-';
    if (point > -3 && point <= 7) {
        if (point <= 0) {
            *at++ = '0';
            *at++ = '.';
            for (int i = point; i < 0; i++) *at++ = '0';
            memcpy(at, digits, (size_t)count);
            at += count;
        } else {
            for (int i = 0; i < point; i++) *at++ = i < count ? digits[i] : '0';
            *at++ = '.';
            if (count <= point) *at++ = '0';
            for (int i = point; i < count; i++) *at++ = digits[i];
        }
    } else {
        *at++ = digits[0];
        *at++ = '.';
        if (count == 1) *at++ = '0';
        memcpy(at, digits + 1, (size_t)count - 1);
        at += count - 1;
        *at++ = 'E';
        at += int64_format(point - 1, at);
    }
    *at = '\0';
    return (size_t)(at - out);
}

static size_t text_put(char *out, const char *text) {
    size_t length = strlen(text);
    memcpy(out, text, length + 1);
    return length;
}

size_t double_format(double value, char out[NUMBER_TEXT_MAX]) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool negative = bits >> 63;
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7FF);
    if (exponent == 0x7FF)
        return text_put(out, fraction ? "NaN" : negative ? "-Infinity" : "Infinity");
    if (exponent == 0 && fraction == 0) return text_put(out, negative ? "-0.0" : "0.0");
    Decimal decimal;
    if (exponent != 0) {
        uint64_t c = fraction | UINT64_C(1) << 52;
        int q = exponent - 1075;
        /* An integer below 2^53 is its own shortest decimal. */
        if (q <= 0 && q > -53 && (c & ((UINT64_C(1) << -q) - 1)) == 0)
            decimal = (Decimal){c >> -q, 0};
        else
            decimal = shortest(c, q, fraction == 0 && exponent > 1, false);
    } else if (fraction < 3) {
        /* 4.9E-324: two digits need ten times the resolution down here. */
        decimal = shortest(10 * fraction, -1074, false, false);
        decimal.exponent--;
    } else {
        decimal = shortest(fraction, -1074, false, false);
    }
    return decimal_layout(decimal, negative, out);
}

size_t float_format(float value, char out[NUMBER_TEXT_MAX]) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bool negative = bits >> 31;
    uint32_t fraction = bits & 0x7FFFFF;
    int exponent = (int)(bits >> 23 & 0xFF);
    if (exponent == 0xFF)
        return text_put(out, fraction ? "NaN" : negative ? "-Infinity" : "Infinity");
    if (exponent == 0 && fraction == 0) return text_put(out, negative ? "-0.0" : "0.0");
    Decimal decimal;
    if (exponent != 0) {
        uint32_t c = fraction | 0x800000;
        int q = exponent - 150;
        if (q <= 0 && q > -24 && (c & ((1u << -q) - 1)) == 0)
            decimal = (Decimal){c >> -q, 0};
        else
            decimal = shortest(c, q, fraction == 0 && exponent > 1, true);
    } else if (fraction < 8) {
        decimal = shortest(10 * (uint64_t)fraction, -149, false, true);
        decimal.exponent--;
    } else {
        decimal = shortest(fraction, -149, false, true);
    }
    return decimal_layout(decimal, negative, out);
}

/* ---------------------------------------------------------------- reading */

#define SIGNIFICANT_MAX 800
#define MANTISSA_DIGITS 19

typedef struct Scanned {
    bool negative;
    char digits[SIGNIFICANT_MAX + 32]; /* without leading zeros; then "E", exponent, NUL */
    size_t count;
    uint64_t mantissa; /* the digits as a number, if there are at most MANTISSA_DIGITS */
    int64_t exponent;  /* value = digits * 10^exponent */
    double special;    /* NaN or infinity when `named` */
    bool named;
} Scanned;

static bool name_scan(Str text, double *out) {
    if (str_equal_fold(text, STR("nan")))
        *out = NAN;
    else if (str_equal_fold(text, STR("infinity")) || str_equal_fold(text, STR("inf")))
        *out = INFINITY;
    else
        return false;
    return true;
}

/* Exponent digits; clamped, so that any number of them is harmless. */
static bool exponent_scan(Str text, size_t at, int64_t *out) {
    bool negative = false;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        negative = text.data[at++] == '-';
    if (at == text.len) return false;
    int64_t value = 0;
    for (; at < text.len; at++) {
        unsigned digit = (unsigned char)text.data[at] - (unsigned)'0';
        if (digit > 9) return false;
        if (value < INT64_C(1) << 55) value = value * 10 + digit;
    }
    *out = negative ? -value : value;
    return true;
}

static bool number_scan(Str text, Scanned *out) {
    size_t at = 0;
    out->negative = false;
    out->named = false;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        out->negative = text.data[at++] == '-';
    if (name_scan((Str){text.data + at, text.len - at}, &out->special)) {
        out->named = true;
        return true;
    }
    bool any = false, point = false, sticky = false;
    int64_t exponent = 0;
    size_t count = 0;
    uint64_t mantissa = 0;
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        any = true;
        if (count == 0 && c == '0') {
            exponent -= point;
        } else if (count < SIGNIFICANT_MAX) {
            out->digits[count++] = c;
            mantissa = mantissa * 10 + (uint64_t)(c - '0');
            exponent -= point;
        } else {
            sticky |= c != '0';
            exponent += !point;
        }
    }
    if (!any) return false;
    if (at < text.len) {
        int64_t written;
        if (text.data[at] != 'e' && text.data[at] != 'E') return false;
        if (!exponent_scan(text, at + 1, &written)) return false;
        exponent += written;
    }
    if (sticky) {
        out->digits[count++] = '1';
        exponent--;
    }
    out->count = count;
    out->mantissa = mantissa;
    out->exponent = exponent;
    return true;
}

static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* One correctly rounded operation on two exact operands; false when they are not exact. */
static bool double_exact(const Scanned *in, double *out) {
    if (in->exponent < -22 || in->exponent > 22 || in->mantissa > UINT64_C(1) << 53) return false;
    if (in->exponent < 0)
        *out = (double)in->mantissa / exact_powers[-in->exponent];
    else
        *out = (double)in->mantissa * exact_powers[in->exponent];
    return true;
}

#define LEMIRE_LOW  (-292)
#define LEMIRE_HIGH 308

/* 10^q as 128 bits: the reciprocals of small powers rounded up, everything else cut off. */
static Power power_cut(int q) {
    Power g = powers[q - POWER_LOW];
    if (q < -27 || q >= 0) {
        if (g.low == 0) g.high--;
        g.low--;
    }
    return g;
}

/* mantissa * 10^exponent; false when 128 bits do not decide the rounding, or for subnormal numbers. */
static bool double_lemire(const Scanned *in, double *out) {
    if (in->exponent < LEMIRE_LOW || in->exponent > LEMIRE_HIGH || in->mantissa == 0) return false;
    int q = (int)in->exponent;
    int zeros = __builtin_clzll(in->mantissa);
    uint64_t w = in->mantissa << zeros;
    Power g = power_cut(q);
    unsigned __int128 product = (unsigned __int128)w * g.high;
    if (((uint64_t)(product >> 64) & 0x1FF) == 0x1FF)
        product += (uint64_t)((unsigned __int128)w * g.low >> 64);
    uint64_t high = (uint64_t)(product >> 64), low = (uint64_t)product;
    if (low == UINT64_MAX && (q < -27 || q > 55)) return false;
    int top = (int)(high >> 63);
    uint64_t bits = high >> (top + 9); /* 53 bits and one for rounding */
    int power = floor_log2_pow10(q) + 63 + top - zeros + 1023;
    if (power <= 0) return false;
    /* A tie goes to the even neighbour. */
    if (low <= 1 && q >= -4 && q <= 23 && (bits & 3) == 1 && bits << (top + 9) == high)
        bits &= ~UINT64_C(1);
    bits = (bits + (bits & 1)) >> 1;
    if (bits >> 53) {
        bits >>= 1;
        power++;
    }
    if (power >= 0x7FF) return false;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)power << 52;
    memcpy(out, &bits, sizeof *out);
    return true;
}

static bool double_fast(const Scanned *in, double *out) {
    return in->count <= MANTISSA_DIGITS && (double_exact(in, out) || double_lemire(in, out));
}

/* As double_exact: a float holds integers up to 2^24 and powers of ten up to 10^10. */
static bool float_exact(const Scanned *in, float *out) {
    if (in->count > MANTISSA_DIGITS || in->exponent < -10 || in->exponent > 10 ||
        in->mantissa > 1 << 24)
        return false;
    float power = (float)exact_powers[in->exponent < 0 ? -in->exponent : in->exponent];
    *out = in->exponent < 0 ? (float)in->mantissa / power : (float)in->mantissa * power;
    return true;
}

/* Completes the digits to a text that strtod_l reads; false when the value is surely 0 or
 * infinite. */
static bool number_rewrite(Scanned *in, bool *huge) {
    int64_t magnitude = in->exponent + (int64_t)in->count;
    *huge = magnitude > 400;
    if (*huge || magnitude < -400) return false;
    in->digits[in->count] = 'E';
    int64_format(in->exponent, in->digits + in->count + 1);
    return true;
}

NumberResult double_parse(Str text, double *out) {
    Scanned in;
    double value = 0;
    bool huge = false;
    if (!number_scan(text, &in)) return NUMBER_SYNTAX;
    if (in.named)
        value = in.special;
    else if (in.count > 0 && !double_fast(&in, &value)) {
        if (number_rewrite(&in, &huge)) {
            value = strtod_l(in.digits, NULL, text_c_locale());
            huge = isinf(value);
        }
        if (huge) return NUMBER_RANGE;
    }
    *out = in.negative ? -value : value;
    return NUMBER_OK;
}

NumberResult float_parse(Str text, float *out) {
    Scanned in;
    float value = 0;
    bool huge = false;
    if (!number_scan(text, &in)) return NUMBER_SYNTAX;
    if (in.named)
        value = (float)in.special;
    else if (in.count > 0 && !float_exact(&in, &value)) {
        if (number_rewrite(&in, &huge)) {
            value = strtof_l(in.digits, NULL, text_c_locale());
            huge = isinf(value);
        }
        if (huge) return NUMBER_RANGE;
    }
    *out = in.negative ? -value : value;
    return NUMBER_OK;
}
