/*
 * convert_bulk.c - kernels that convert a run of one column straight into the application's buffers.
 *
 * One kernel per pair of source and C class that block fetches use; pairs without one go cell by
 * cell. A kernel looks at nothing per cell but the validity bit, the value and the strides. Buffers
 * are written through memcpy of constant size (row-wise binding need not align them). A kernel is
 * only called with one length-and-indicator array (or none) and without MAX_LENGTH.
 */
#include <math.h>

#include "driver/convert.h"
#include "engine/base/number.h"
#include "driver/text.h"
#include "engine/base/bitmap.h"
#include "engine/base/calendar.h"

static void put_null(const Span *span, uint32_t i) {
    SQLLEN null = SQL_NULL_DATA;
    if (span->length)
        memcpy(span->length + i * span->length_stride, &null, sizeof null);
    else
        span->issue(span->context, i, CONVERT_NO_INDICATOR, NULL);
}

static inline void put_length(const Span *span, uint32_t i, SQLLEN length) {
    if (span->length) memcpy(span->length + i * span->length_stride, &length, sizeof length);
}

/* Opens a loop over the cells that are not NULL: i is the row of the run, at the place of its value. */
#define EACH_CELL(span, i, at)                                          \
    const uint64_t *validity = (span)->column->validity;                \
    const uint32_t *positions = (span)->positions;                      \
    for (uint32_t i = 0, at; i < (span)->count; i++)                    \
        if (at = positions ? positions[i] : (span)->first + i,          \
            at == SPAN_NULL || (validity && !bitmap_get(validity, at))) \
            put_null(span, i);                                          \
        else

#define FIXED_KERNEL(name, IN, OUT, fits, expression)                         \
    static void name(const Span *span) {                                      \
        const IN *in = span->column->data;                                    \
        EACH_CELL(span, i, at) {                                              \
            IN v = in[at];                                                    \
            if (!(fits)) {                                                    \
                span->issue(span->context, i, CONVERT_RANGE, NULL);           \
                continue;                                                     \
            }                                                                 \
            OUT value = (OUT)(expression);                                    \
            memcpy(span->data + i * span->data_stride, &value, sizeof value); \
            put_length(span, i, sizeof value);                                \
        }                                                                     \
    }

/* A function, because compilers object to a narrow value compared with bounds that it cannot have. */
static inline bool within(int64_t v, int64_t low, int64_t high) {
    return v >= low && v <= high;
}

#define INTEGER_KERNELS(prefix, IN)                                                   \
    FIXED_KERNEL(prefix##_int8, IN, int8_t, within(v, INT8_MIN, INT8_MAX), v)         \
    FIXED_KERNEL(prefix##_uint8, IN, uint8_t, within(v, 0, UINT8_MAX), v)             \
    FIXED_KERNEL(prefix##_int16, IN, int16_t, within(v, INT16_MIN, INT16_MAX), v)     \
    FIXED_KERNEL(prefix##_uint16, IN, uint16_t, within(v, 0, UINT16_MAX), v)          \
    FIXED_KERNEL(prefix##_int32, IN, int32_t, within(v, INT32_MIN, INT32_MAX), v)     \
    FIXED_KERNEL(prefix##_uint32, IN, uint32_t, within(v, 0, (int64_t)UINT32_MAX), v) \
    FIXED_KERNEL(prefix##_int64, IN, int64_t, true, v)                                \
    FIXED_KERNEL(prefix##_uint64, IN, uint64_t, within(v, 0, INT64_MAX), v)           \
    FIXED_KERNEL(prefix##_float, IN, float, true, v)                                  \
    FIXED_KERNEL(prefix##_double, IN, double, true, v)

INTEGER_KERNELS(from_int8, int8_t)
INTEGER_KERNELS(from_int16, int16_t)
INTEGER_KERNELS(from_int32, int32_t)
INTEGER_KERNELS(from_int64, int64_t)

FIXED_KERNEL(bool_byte, uint8_t, uint8_t, true, v != 0)
FIXED_KERNEL(bool_int16, uint8_t, uint16_t, true, v != 0)
FIXED_KERNEL(bool_int32, uint8_t, uint32_t, true, v != 0)
FIXED_KERNEL(bool_int64, uint8_t, uint64_t, true, v != 0)
FIXED_KERNEL(bool_float, uint8_t, float, true, v != 0)
FIXED_KERNEL(bool_double, uint8_t, double, true, v != 0)
FIXED_KERNEL(float_float, float, float, true, v)
FIXED_KERNEL(float_double, float, double, true, v)
FIXED_KERNEL(double_double, double, double, true, v)
FIXED_KERNEL(double_float, double, float, !isfinite(v) || fabs(v) < FLOAT_LIMIT, v)

static const double double_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                       1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

/* Both operands are exact below 2^53, so that one division rounds correctly. */
static void dec64_double(const Span *span) {
    const int64_t *in = span->column->data;
    int scale = span->column->type.scale;
    EACH_CELL(span, i, at) {
        int64_t v = in[at];
        bool exact = v > -(INT64_C(1) << 53) && v < INT64_C(1) << 53 && scale >= 0 && scale <= 18;
        double value = exact ? (double)v / double_powers[scale] : decimal_to_double(v, scale);
        memcpy(span->data + i * span->data_stride, &value, sizeof value);
        put_length(span, i, sizeof value);
    }
}

/* Decimals as integers: what stands behind the point is dropped (01S07). */
#define DECIMAL_INTEGER_KERNEL(name, OUT, low, high)                                            \
    static void name(const Span *span) {                                                        \
        const int64_t *in = span->column->data;                                                 \
        int64_t power = (int64_t)double_powers[span->column->type.scale];                       \
        EACH_CELL(span, i, at) {                                                                \
            int64_t whole = in[at] / power;                                                     \
            if (!within(whole, low, high)) {                                                    \
                span->issue(span->context, i, CONVERT_RANGE, NULL);                             \
                continue;                                                                       \
            }                                                                                   \
            OUT value = (OUT)whole;                                                             \
            memcpy(span->data + i * span->data_stride, &value, sizeof value);                   \
            put_length(span, i, sizeof value);                                                  \
            if (whole * power != in[at]) span->issue(span->context, i, CONVERT_FRACTION, NULL); \
        }                                                                                       \
    }

DECIMAL_INTEGER_KERNEL(dec64_int32, int32_t, INT32_MIN, INT32_MAX)
DECIMAL_INTEGER_KERNEL(dec64_int64, int64_t, INT64_MIN, INT64_MAX)

static void date_date(const Span *span) {
    const int32_t *in = span->column->data;
    EACH_CELL(span, i, at) {
        CivilDate civil = date_to_civil(in[at]);
        SQL_DATE_STRUCT value = {(SQLSMALLINT)civil.year, civil.month, civil.day};
        memcpy(span->data + i * span->data_stride, &value, sizeof value);
        put_length(span, i, sizeof value);
    }
}

static void date_timestamp(const Span *span) {
    const int32_t *in = span->column->data;
    EACH_CELL(span, i, at) {
        CivilDate civil = date_to_civil(in[at]);
        SQL_TIMESTAMP_STRUCT value = {(SQLSMALLINT)civil.year, civil.month, civil.day, 0, 0, 0, 0};
        memcpy(span->data + i * span->data_stride, &value, sizeof value);
        put_length(span, i, sizeof value);
    }
}

static void timestamp_timestamp(const Span *span) {
    const int64_t *in = span->column->data;
    EACH_CELL(span, i, at) {
        int64_t of_day = in[at] % US_PER_DAY;
        if (of_day < 0) of_day += US_PER_DAY;
        CivilDate civil = date_to_civil((int32_t)((in[at] - of_day) / US_PER_DAY));
        uint32_t seconds = (uint32_t)(of_day / US_PER_SECOND);
        SQL_TIMESTAMP_STRUCT value = {
            (SQLSMALLINT)civil.year,
            civil.month,
            civil.day,
            (SQLUSMALLINT)(seconds / 3600),
            (SQLUSMALLINT)(seconds / 60 % 60),
            (SQLUSMALLINT)(seconds % 60),
            (SQLUINTEGER)(of_day % US_PER_SECOND) * 1000,
        };
        memcpy(span->data + i * span->data_stride, &value, sizeof value);
        put_length(span, i, sizeof value);
    }
}

/* ---- text */

static void text_cut(const Span *span, uint32_t i, Delivery how, const StrView *view) {
    SQLLEN length;
    size_t used;
    ConvertCode code = deliver(how, strview_str(view), span->data + i * span->data_stride,
                               span->capacity, &length, &used);
    put_length(span, i, length);
    if (code != CONVERT_OK) span->issue(span->context, i, code, NULL);
}

static void text_char(const Span *span) {
    const StrView *in = span->column->data;
    SQLLEN capacity = span->capacity;
    EACH_CELL(span, i, at) {
        const StrView *v = &in[at];
        char *out = span->data + i * span->data_stride;
        if ((SQLLEN)v->len >= capacity) {
            text_cut(span, i, DELIVER_CHAR, v);
            continue;
        }
        if (v->len <= STRVIEW_INLINE && capacity > STRVIEW_INLINE)
            memcpy(out, v->inlined, STRVIEW_INLINE);
        else
            memcpy(out, strview_data(v), v->len);
        out[v->len] = 0;
        put_length(span, i, v->len);
    }
}

typedef uint8_t Bytes4 __attribute__((vector_size(4)));
typedef uint8_t Bytes8 __attribute__((vector_size(8)));
typedef uint16_t Units4 __attribute__((vector_size(8)));
typedef uint16_t Units8 __attribute__((vector_size(16)));

/* All twelve inline bytes at once when they are ASCII (unused ones are 0). */
static inline bool widen_inline(const StrView *v, char *out) {
    uint64_t low;
    uint32_t high;
    memcpy(&low, v->inlined, 8);
    memcpy(&high, v->inlined + 8, 4);
    if (((low & UINT64_C(0x8080808080808080)) | (high & 0x80808080u)) != 0) return false;
    Bytes8 bytes8;
    Bytes4 bytes4;
    memcpy(&bytes8, &low, 8);
    memcpy(&bytes4, &high, 4);
    Units8 units8 = __builtin_convertvector(bytes8, Units8);
    Units4 units4 = __builtin_convertvector(bytes4, Units4);
    memcpy(out, &units8, 16);
    memcpy(out + 16, &units4, 8);
    return true;
}

static void text_wide(const Span *span) {
    const StrView *in = span->column->data;
    size_t units = span->capacity > 0 ? (size_t)span->capacity / 2 : 0;
    EACH_CELL(span, i, at) {
        const StrView *v = &in[at];
        char *out = span->data + i * span->data_stride;
        size_t n = v->len, used;
        if (n >= units) { /* fewer units than bytes may still fit: the slow way knows */
            text_cut(span, i, DELIVER_WIDE, v);
            continue;
        }
        if (n > STRVIEW_INLINE || units <= STRVIEW_INLINE || !widen_inline(v, out))
            n = utf16_put(strview_data(v), v->len, (SQLWCHAR *)(void *)out, units - 1, &used);
        memset(out + n * 2, 0, 2);
        put_length(span, i, (SQLLEN)n * 2);
    }
}

static void text_binary(const Span *span) {
    const StrView *in = span->column->data;
    EACH_CELL(span, i, at) {
        const StrView *v = &in[at];
        if ((SQLLEN)v->len > span->capacity) {
            text_cut(span, i, DELIVER_BINARY, v);
            continue;
        }
        memcpy(span->data + i * span->data_stride, strview_data(v), v->len);
        put_length(span, i, v->len);
    }
}

/* ---- numbers and dates as text */

static const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324"
                                     "25262728293031323334353637383940414243444546474849"
                                     "50515253545556575859606162636465666768697071727374"
                                     "75767778798081828384858687888990919293949596979899";

/* Digits of v before `end`, at least `least` of them; returns their start. */
static char *padded_before(char *end, uint64_t v, int least) {
    char *start = end;
    while (v >= 100) {
        start -= 2;
        memcpy(start, digit_pairs + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        start -= 2;
        memcpy(start, digit_pairs + v * 2, 2);
    } else {
        *--start = (char)('0' + v);
    }
    while (end - start < least) *--start = '0';
    return start;
}

/* An unscaled decimal as text ending at `end`; *whole = bytes before the point. */
static char *decimal_before(char *end, int64_t v, int scale, size_t *whole) {
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char *start = padded_before(end, size, scale + 1);
    if (scale > 0) { /* make room for the point */
        memmove(start - 1, start, (size_t)(end - start - scale));
        start--;
        end[-scale - 1] = '.';
    }
    if (v < 0) *--start = '-';
    *whole = scale > 0 ? (size_t)(end - start - scale - 1) : (size_t)(end - start);
    return start;
}

/* Puts a short ASCII text; numbers may lose their fraction (01004), never whole digits (22003). */
static inline void put_ascii(const Span *span, uint32_t i, const char *text, size_t n,
                             size_t whole) {
    char *out = span->data + i * span->data_stride;
    SQLLEN capacity = span->capacity;
    if ((SQLLEN)n < capacity) {
        memcpy(out, text, n);
        out[n] = 0;
        put_length(span, i, (SQLLEN)n);
    } else if ((SQLLEN)whole >= capacity) {
        span->issue(span->context, i, CONVERT_RANGE, NULL);
    } else {
        memcpy(out, text, (size_t)capacity - 1);
        out[capacity - 1] = 0;
        put_length(span, i, (SQLLEN)n);
        span->issue(span->context, i, CONVERT_CUT, NULL);
    }
}

/* The same in UTF-16. */
static inline void put_ascii_wide(const Span *span, uint32_t i, const char *text, size_t n,
                                  size_t whole) {
    char *out = span->data + i * span->data_stride;
    size_t units = (size_t)span->capacity / 2, kept = n < units ? n : units - 1;
    if (n >= units && whole >= units) {
        span->issue(span->context, i, CONVERT_RANGE, NULL);
        return;
    }
    for (size_t k = 0; k < kept; k++) {
        SQLWCHAR unit = (SQLWCHAR)text[k];
        memcpy(out + k * 2, &unit, 2);
    }
    memset(out + kept * 2, 0, 2);
    put_length(span, i, (SQLLEN)n * 2);
    if (kept < n) span->issue(span->context, i, CONVERT_CUT, NULL);
}

#define NUMBER_TEXT_KERNEL(name, IN, SCALE, put)                                     \
    static void name(const Span *span) {                                             \
        const IN *in = span->column->data;                                           \
        int scale = SCALE;                                                           \
        char text[64];                                                               \
        EACH_CELL(span, i, at) {                                                     \
            size_t whole;                                                            \
            char *start = decimal_before(text + sizeof text, in[at], scale, &whole); \
            put(span, i, start, (size_t)(text + sizeof text - start), whole);        \
        }                                                                            \
    }
#define NUMBER_TEXT_KERNELS(prefix, IN, SCALE)              \
    NUMBER_TEXT_KERNEL(prefix##_char, IN, SCALE, put_ascii) \
    NUMBER_TEXT_KERNEL(prefix##_wide, IN, SCALE, put_ascii_wide)

NUMBER_TEXT_KERNELS(int8, int8_t, 0)
NUMBER_TEXT_KERNELS(int16, int16_t, 0)
NUMBER_TEXT_KERNELS(int32, int32_t, 0)
NUMBER_TEXT_KERNELS(int64, int64_t, 0)
NUMBER_TEXT_KERNELS(dec64, int64_t, span->column->type.scale)

#define BOOL_TEXT_KERNEL(name, put)                 \
    static void name(const Span *span) {            \
        const uint8_t *in = span->column->data;     \
        EACH_CELL(span, i, at) {                    \
            put(span, i, in[at] ? "1" : "0", 1, 1); \
        }                                           \
    }

BOOL_TEXT_KERNEL(bool_char, put_ascii)
BOOL_TEXT_KERNEL(bool_wide, put_ascii_wide)

static inline void put_two(char *out, uint32_t v) {
    memcpy(out, digit_pairs + v * 2, 2);
}

/* YYYY-MM-DD; years outside 0..9999 take the general way. */
static size_t date_text(int32_t days, char out[CALENDAR_TEXT_MAX]) {
    CivilDate civil = date_to_civil(days);
    if (civil.year < 0 || civil.year > 9999) return date_format_iso(days, out);
    put_two(out, (uint32_t)civil.year / 100);
    put_two(out + 2, (uint32_t)civil.year % 100);
    out[4] = '-';
    put_two(out + 5, civil.month);
    out[7] = '-';
    put_two(out + 8, civil.day);
    return 10;
}

/* YYYY-MM-DD hh:mm:ss and as many digits of the fraction as the type has; *whole: bytes before it. */
static size_t timestamp_text(int64_t us_since, int precision, char out[CALENDAR_TEXT_MAX],
                             size_t *whole) {
    int64_t of_day = us_since % US_PER_DAY;
    if (of_day < 0) of_day += US_PER_DAY;
    size_t n = date_text((int32_t)((us_since - of_day) / US_PER_DAY), out);
    uint32_t seconds = (uint32_t)(of_day / US_PER_SECOND), us = (uint32_t)(of_day % US_PER_SECOND);
    out[n] = ' ';
    put_two(out + n + 1, seconds / 3600);
    out[n + 3] = ':';
    put_two(out + n + 4, seconds / 60 % 60);
    out[n + 6] = ':';
    put_two(out + n + 7, seconds % 60);
    n += 9;
    *whole = n;
    if (precision == 0) return n;
    out[n] = '.';
    put_two(out + n + 1, us / 10000);
    put_two(out + n + 3, us / 100 % 100);
    put_two(out + n + 5, us % 100);
    return n + 1 + (size_t)precision;
}

#define DATE_TEXT_KERNELS(suffix, put)                                         \
    static void date_##suffix(const Span *span) {                              \
        const int32_t *in = span->column->data;                                \
        char text[CALENDAR_TEXT_MAX];                                          \
        EACH_CELL(span, i, at) {                                               \
            size_t n = date_text(in[at], text);                                \
            put(span, i, text, n, n);                                          \
        }                                                                      \
    }                                                                          \
    static void timestamp_##suffix(const Span *span) {                         \
        const int64_t *in = span->column->data;                                \
        int precision = span->column->type.precision;                          \
        char text[CALENDAR_TEXT_MAX];                                          \
        EACH_CELL(span, i, at) {                                               \
            size_t whole, n = timestamp_text(in[at], precision, text, &whole); \
            put(span, i, text, n, whole);                                      \
        }                                                                      \
    }

DATE_TEXT_KERNELS(char, put_ascii)
DATE_TEXT_KERNELS(wide, put_ascii_wide)

#define INTEGER_ROW(prefix)                                                                 \
    [C_INT8] = prefix##_int8, [C_UINT8] = prefix##_uint8, [C_INT16] = prefix##_int16,       \
    [C_UINT16] = prefix##_uint16, [C_INT32] = prefix##_int32, [C_UINT32] = prefix##_uint32, \
    [C_INT64] = prefix##_int64, [C_UINT64] = prefix##_uint64, [C_FLOAT] = prefix##_float,   \
    [C_DOUBLE] = prefix##_double

static const SpanKernel kernels[SRC_COUNT][C_COUNT] = {
    [SRC_BOOL] = {[C_BIT] = bool_byte,
                  [C_INT8] = bool_byte,
                  [C_UINT8] = bool_byte,
                  [C_INT16] = bool_int16,
                  [C_UINT16] = bool_int16,
                  [C_INT32] = bool_int32,
                  [C_UINT32] = bool_int32,
                  [C_INT64] = bool_int64,
                  [C_UINT64] = bool_int64,
                  [C_FLOAT] = bool_float,
                  [C_DOUBLE] = bool_double,
                  [C_CHAR] = bool_char,
                  [C_WCHAR] = bool_wide},
    [SRC_INT8] = {INTEGER_ROW(from_int8), [C_CHAR] = int8_char, [C_WCHAR] = int8_wide},
    [SRC_INT16] = {INTEGER_ROW(from_int16), [C_CHAR] = int16_char, [C_WCHAR] = int16_wide},
    [SRC_INT32] = {INTEGER_ROW(from_int32), [C_CHAR] = int32_char, [C_WCHAR] = int32_wide},
    [SRC_INT64] = {INTEGER_ROW(from_int64), [C_CHAR] = int64_char, [C_WCHAR] = int64_wide},
    [SRC_DEC64] = {[C_INT32] = dec64_int32,
                   [C_INT64] = dec64_int64,
                   [C_DOUBLE] = dec64_double,
                   [C_CHAR] = dec64_char,
                   [C_WCHAR] = dec64_wide},
    [SRC_FLOAT] = {[C_FLOAT] = float_float, [C_DOUBLE] = float_double},
    [SRC_DOUBLE] = {[C_DOUBLE] = double_double, [C_FLOAT] = double_float},
    [SRC_TEXT] = {[C_CHAR] = text_char, [C_WCHAR] = text_wide, [C_BINARY] = text_binary},
    [SRC_BYTES] = {[C_BINARY] = text_binary},
    [SRC_DATE] = {[C_DATE] = date_date,
                  [C_TIMESTAMP] = date_timestamp,
                  [C_CHAR] = date_char,
                  [C_WCHAR] = date_wide},
    [SRC_TIMESTAMP] = {[C_TIMESTAMP] = timestamp_timestamp,
                       [C_CHAR] = timestamp_char,
                       [C_WCHAR] = timestamp_wide},
};

SpanKernel convert_kernel(Source source, CClass cclass) {
    return kernels[source][cclass];
}
