/*
 * convert.c - the kernels behind convert.h.
 *
 * Each kernel is one loop over the fields of a column, written into the column's buffer directly. The
 * common spellings (digits, digits with a point, YYYY-MM-DD, short texts) are read here; what is rare
 * (exponents, blanks, odd dates) goes through engine/base. Nothing is rounded: a number with more digits
 * than its column holds is a mismatch, since the file says something that the column cannot.
 *
 * No state, any thread. Memory: the batch's.
 */
#include "connectors/lake/convert.h"

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/json.h"
#include "engine/base/number.h"

enum { JSON_DEPTH_MAX = 1000 };

static inline Str field_text(const Field *field) {
    return (Str){field->data, field->len};
}

/* Says what is wrong; for kernels' error returns. */
static ConvertResult mismatch(Convert *self, uint32_t at, const char *why) {
    self->done = at;
    self->why = why;
    return CONVERT_MISMATCH;
}

/* ---------------------------------------------------------------- integers */

/* Digits with an optional sign, up to 18 of them without looking for overflow. */
static inline bool int64_read(const Field *field, int64_t *out) {
    const char *at = field->data, *end = at + field->len;
    bool negative = at < end && *at == '-';
    at += negative;
    size_t digits = (size_t)(end - at);
    if (__builtin_expect(digits - 1 >= 18, 0))
        return int64_parse(field_text(field), out) == NUMBER_OK;
    uint64_t value = 0;
    do {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (__builtin_expect(digit > 9, 0)) return int64_parse(field_text(field), out) == NUMBER_OK;
        value = value * 10 + digit;
    } while (++at < end);
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* The loop of a type of fixed width: READ sets `value` or says why not. */
#define FIXED_KERNEL(name, Type, READ, WHY)                                  \
    static ConvertResult name(Convert *self) {                               \
        const Field *fields = self->fields;                                  \
        Type *out = (Type *)self->column->values + self->row;                \
        for (uint32_t i = 0; i < self->count; i++) {                         \
            const Field *field = &fields[i];                                 \
            if (__builtin_expect((field->flags & FIELD_NULL) != 0, 0)) {     \
                batch_set_null(self->column, self->row + i);                 \
                continue;                                                    \
            }                                                                \
            Type value;                                                      \
            if (__builtin_expect(!(READ), 0)) return mismatch(self, i, WHY); \
            out[i] = value;                                                  \
        }                                                                    \
        self->done = self->count;                                            \
        return CONVERT_DONE;                                                 \
    }

#define NARROW_READ(Type, low, high)                                                  \
    static inline bool Type##_read(const Field *field, Type *out) {                   \
        int64_t wide;                                                                 \
        if (!int64_read(field, &wide) || wide < (low) || wide > (high)) return false; \
        *out = (Type)wide;                                                            \
        return true;                                                                  \
    }
NARROW_READ(int8_t, INT8_MIN, INT8_MAX)
NARROW_READ(int16_t, INT16_MIN, INT16_MAX)
NARROW_READ(int32_t, INT32_MIN, INT32_MAX)

FIXED_KERNEL(convert_tinyint, int8_t, int8_t_read(field, &value), "no tinyint")
FIXED_KERNEL(convert_smallint, int16_t, int16_t_read(field, &value), "no smallint")
FIXED_KERNEL(convert_integer, int32_t, int32_t_read(field, &value), "no integer")
FIXED_KERNEL(convert_bigint, int64_t, int64_read(field, &value), "no bigint")

/* ---------------------------------------------------------------- floating point */

FIXED_KERNEL(convert_double, double, double_parse(field_text(field), &value) == NUMBER_OK,
             "no double")
FIXED_KERNEL(convert_real, float, float_parse(field_text(field), &value) == NUMBER_OK, "no real")

/* ---------------------------------------------------------------- decimals */

/* Sign, digits, point, digits, exponent, as an unscaled number of `scale`; exact or false. */
static bool decimal_read_slow(const Field *field, TribType type, Int128 *out) {
    Str text = str_trim(field_text(field));
    size_t at = 0, digits = 0;
    int64_t exponent = 0;
    Int128 value = 0;
    bool negative = false, point = false;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+'))
        negative = text.data[at++] == '-';
    for (; at < text.len; at++) {
        char c = text.data[at];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') break;
        digits++;
        if (value > decimal_powers[DECIMAL_MAX_DIGITS - 1] && c != '0') return false;
        if (value > decimal_powers[DECIMAL_MAX_DIGITS - 1]) {
            exponent += !point; /* a zero that does not fit is one power of ten, or nothing */
            continue;
        }
        value = value * 10 + (c - '0');
        exponent -= point;
    }
    if (digits == 0) return false;
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        int64_t written;
        Str rest = {text.data + at + 1, text.len - at - 1};
        if (int64_parse(rest, &written) != NUMBER_OK || written < -100000 || written > 100000)
            return false;
        exponent += written;
        at = text.len;
    }
    if (at != text.len) return false;
    for (; value && exponent < -type.scale; exponent++) {
        if (value % 10) return false; /* more digits than the column holds */
        value /= 10;
    }
    for (; value && exponent > -type.scale; exponent--) {
        if (value > decimal_powers[DECIMAL_MAX_DIGITS - 1]) return false;
        value *= 10;
    }
    if (!decimal_fits(value, type.precision)) return false;
    *out = negative ? -value : value;
    return true;
}

/* -digits.digits with exactly `scale` of them behind the point, 18 digits in all at most. */
static inline bool decimal64_read(const Field *field, TribType type, int64_t limit, int64_t *out) {
    const char *at = field->data, *end = at + field->len;
    bool negative = at < end && *at == '-';
    at += negative;
    size_t length = (size_t)(end - at);
    size_t scale = (size_t)type.scale;
    Int128 wide;
    if (__builtin_expect(length - 1 < 18 && length > scale + 1 && end[-(ptrdiff_t)scale - 1] == '.',
                         1)) {
        const char *point = end - scale - 1;
        uint64_t value = 0;
        unsigned bad = 0;
        for (; at < point; at++) {
            unsigned digit = (unsigned)(unsigned char)*at - '0';
            bad |= digit > 9;
            value = value * 10 + digit;
        }
        for (at++; at < end; at++) {
            unsigned digit = (unsigned)(unsigned char)*at - '0';
            bad |= digit > 9;
            value = value * 10 + digit;
        }
        if (__builtin_expect(!bad && (int64_t)value < limit, 1)) {
            *out = negative ? -(int64_t)value : (int64_t)value;
            return true;
        }
    }
    if (!decimal_read_slow(field, type, &wide)) return false;
    *out = (int64_t)wide;
    return true;
}

static ConvertResult convert_decimal64(Convert *self) {
    TribType type = self->column->type;
    int64_t limit = (int64_t)decimal_powers[type.precision];
    int64_t *out = (int64_t *)self->column->values + self->row;
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        if (field->flags & FIELD_NULL)
            batch_set_null(self->column, self->row + i);
        else if (!decimal64_read(field, type, limit, &out[i]))
            return mismatch(self, i, "no number that the column's decimal type holds");
    }
    self->done = self->count;
    return CONVERT_DONE;
}

static ConvertResult convert_decimal128(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        Int128 value;
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (!decimal_read_slow(field, self->column->type, &value))
            return mismatch(self, i, "no number that the column's decimal type holds");
        batch_set_int128(self->column, self->row + i, value);
    }
    self->done = self->count;
    return CONVERT_DONE;
}

/* ---------------------------------------------------------------- truth */

static bool boolean_read(Str text, bool *out) {
    static const struct {
        Str word;
        bool value;
    } words[] = {
        {{"true", 4}, true}, {{"false", 5}, false}, {{"t", 1}, true},   {{"f", 1}, false},
        {{"1", 1}, true},    {{"0", 1}, false},     {{"yes", 3}, true}, {{"no", 2}, false},
        {{"y", 1}, true},    {{"n", 1}, false},
    };
    text = str_trim(text);
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!str_equal_fold(text, words[i].word)) continue;
        *out = words[i].value;
        return true;
    }
    return false;
}

static ConvertResult convert_boolean(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        bool value;
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (!boolean_read(field_text(field), &value)) return mismatch(self, i, "no boolean");
        batch_set_bool(self->column, self->row + i, value);
    }
    self->done = self->count;
    return CONVERT_DONE;
}

/* ---------------------------------------------------------------- dates and times */

/* YYYY-MM-DD of the years 1600 to 2399 without branches; Hinnant's days_from_civil otherwise. */
static inline bool date_read(const Field *field, int32_t *out) {
    const char *p = field->data;
    if (__builtin_expect(field->len == 10 && p[4] == '-' && p[7] == '-', 1)) {
        unsigned digits[8];
        static const uint8_t places[8] = {0, 1, 2, 3, 5, 6, 8, 9};
        unsigned bad = 0;
        for (int i = 0; i < 8; i++) {
            digits[i] = (unsigned)(unsigned char)p[places[i]] - '0';
            bad |= digits[i] > 9;
        }
        int32_t year = (int32_t)(digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3]);
        uint32_t month = digits[4] * 10 + digits[5], day = digits[6] * 10 + digits[7];
        if (!bad && date_valid(year, month, day)) {
            *out = date_from_civil(year, month, day);
            return true;
        }
        return false;
    }
    return date_parse(field_text(field), out);
}

FIXED_KERNEL(convert_date, int32_t, date_read(field, &value), "no date (YYYY-MM-DD)")
FIXED_KERNEL(convert_time, int64_t, time_parse(field_text(field), &value), "no time (HH:MM:SS)")

static ConvertResult convert_timestamp(Convert *self) {
    int precision = self->column->type.precision;
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        int64_t us;
        int32_t ns;
        int16_t zone;
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (!timestamp_parse(field_text(field), precision, &us, &ns, &zone))
            return mismatch(self, i, "no timestamp (YYYY-MM-DD HH:MM:SS)");
        if (zone >= 0)
            return mismatch(self, i,
                            "a timestamp with a zone in a column of timestamps without one");
        if (precision > 6)
            batch_set_timestamp_ns(self->column, self->row + i, us, ns);
        else
            batch_set_int64(self->column, self->row + i, us);
    }
    self->done = self->count;
    return CONVERT_DONE;
}

static ConvertResult convert_timestamp_zone(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        int64_t us;
        int32_t ns;
        int16_t zone;
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (!timestamp_parse(field_text(field), self->column->type.precision, &us, &ns, &zone) ||
            zone < 0)
            return mismatch(self, i, "no timestamp with a time zone");
        batch_set_timestamp_zone(self->column, self->row + i, zone_local_to_utc(zone, us), zone,
                                 (int16_t)ns);
    }
    self->done = self->count;
    return CONVERT_DONE;
}

/* ---------------------------------------------------------------- texts */

static ConvertResult convert_varchar(Convert *self) {
    uint32_t limit = self->column->type.length;
    BatchView *views = (BatchView *)self->column->values + self->row;
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (limit && field->len > limit && utf8_length(field->data, field->len) > limit)
            return mismatch(self, i, "longer than the column's varchar type allows");
        if (field->len <= 12) {
            /* Twelve bytes are always readable; those beyond the text are blanked. */
            uint64_t low;
            uint32_t high, n = field->len;
            memcpy(&low, field->data, 8);
            memcpy(&high, field->data + 8, 4);
            low = n >= 8 ? low : n ? low & (~UINT64_C(0) >> (64 - 8 * n)) : 0;
            high = n > 8 ? high & (~UINT32_C(0) >> (32 - 8 * (n - 8))) : 0;
            views[i].length = (int32_t)n;
            memcpy(views[i].as.inlined, &low, 8);
            memcpy(views[i].as.inlined + 8, &high, 4);
            continue;
        }
        if (batch_text(self->builder, self->column, self->row + i, field->data, field->len,
                       self->err) != TRIB_OK)
            return CONVERT_FAILED;
    }
    self->done = self->count;
    return CONVERT_DONE;
}

/* Without trailing blanks, as the ABI wants it. */
static ConvertResult convert_char(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        size_t len = field->len;
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        while (len && field->data[len - 1] == ' ') len--;
        if (utf8_length(field->data, len) > self->column->type.length)
            return mismatch(self, i, "longer than the column's char type allows");
        if (batch_text(self->builder, self->column, self->row + i, field->data, len, self->err) !=
            TRIB_OK)
            return CONVERT_FAILED;
    }
    self->done = self->count;
    return CONVERT_DONE;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hexadecimal digits, with or without hyphens at their places, in braces or not. */
static bool uuid_read(Str text, uint8_t out[16]) {
    text = str_trim(text);
    if (text.len == 38 && text.data[0] == '{' && text.data[37] == '}')
        text = (Str){text.data + 1, 36};
    bool hyphens = text.len == 36;
    if (text.len != 32 && !hyphens) return false;
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && text.data[at++] != '-')
            return false;
        int high = hex_digit(text.data[at]), low = hex_digit(text.data[at + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    return true;
}

static ConvertResult convert_uuid(Convert *self) {
    for (uint32_t i = 0; i < self->count; i++) {
        const Field *field = &self->fields[i];
        uint8_t bytes[16];
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        if (!uuid_read(field_text(field), bytes)) return mismatch(self, i, "no UUID");
        batch_set_fixed16(self->column, self->row + i, bytes);
    }
    self->done = self->count;
    return CONVERT_DONE;
}

/* What a JSON column holds must be JSON. */
static bool json_check(Arena *arena, Str text) {
    JsonReader reader;
    JsonToken token;
    Error ignored;
    json_init(&reader, arena, text, false, JSON_DEPTH_MAX);
    reader.discard = true;
    do {
        if (json_next(&reader, &token, &ignored) != TRIB_OK) return false;
    } while (token != JSON_END);
    return true;
}

static ConvertResult convert_json(Convert *self) {
    Arena *arena = arena_new(NULL);
    ConvertResult result = CONVERT_DONE;
    if (!arena) {
        (void)error_out_of_memory(self->err);
        return CONVERT_FAILED;
    }
    uint32_t i = 0;
    for (; result == CONVERT_DONE && i < self->count; i++) {
        const Field *field = &self->fields[i];
        if (field->flags & FIELD_NULL) {
            batch_set_null(self->column, self->row + i);
            continue;
        }
        arena_reset(arena);
        if (!(field->flags & FIELD_JSON) && !json_check(arena, field_text(field)))
            result = mismatch(self, i, "no JSON");
        else if (batch_text(self->builder, self->column, self->row + i, field->data, field->len,
                            self->err) != TRIB_OK)
            result = CONVERT_FAILED;
    }
    arena_free(arena);
    if (result == CONVERT_DONE) self->done = self->count;
    return result;
}

ConvertKernel convert_kernel(TribType type) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN: return convert_boolean;
    case TRIB_TYPE_TINYINT: return convert_tinyint;
    case TRIB_TYPE_SMALLINT: return convert_smallint;
    case TRIB_TYPE_INTEGER: return convert_integer;
    case TRIB_TYPE_BIGINT: return convert_bigint;
    case TRIB_TYPE_REAL: return convert_real;
    case TRIB_TYPE_DOUBLE: return convert_double;
    case TRIB_TYPE_DECIMAL: return type.precision <= 18 ? convert_decimal64 : convert_decimal128;
    case TRIB_TYPE_VARCHAR: return convert_varchar;
    case TRIB_TYPE_CHAR: return convert_char;
    case TRIB_TYPE_DATE: return convert_date;
    case TRIB_TYPE_TIME: return convert_time;
    case TRIB_TYPE_TIMESTAMP: return convert_timestamp;
    case TRIB_TYPE_TIMESTAMP_TZ: return convert_timestamp_zone;
    case TRIB_TYPE_UUID: return convert_uuid;
    case TRIB_TYPE_JSON: return convert_json;
    default: return NULL;
    }
}

/* ---------------------------------------------------------------- single values */

static bool integer_value(const Field *field, int64_t low, int64_t high, TribValue *out) {
    return int64_read(field, &out->as.integer) && out->as.integer >= low && out->as.integer <= high;
}

bool convert_value(Arena *arena, Str text, TribType type, TribValue *out, const char **why) {
    Field field = {text.data, (uint32_t)text.len, 0};
    Int128 wide;
    int32_t days;
    int16_t zone;
    bool truth;
    *out = (TribValue){.type = type};
    *why = "no value of the column's type";
    switch (type.id) {
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
        while (type.id == TRIB_TYPE_CHAR && text.len && text.data[text.len - 1] == ' ') text.len--;
        out->as.text.data = text.data;
        out->as.text.length = text.len;
        return !type.length || utf8_length(text.data, text.len) <= type.length;
    case TRIB_TYPE_BOOLEAN:
        if (!boolean_read(text, &truth)) return false;
        out->as.integer = truth;
        return true;
    case TRIB_TYPE_TINYINT: return integer_value(&field, INT8_MIN, INT8_MAX, out);
    case TRIB_TYPE_SMALLINT: return integer_value(&field, INT16_MIN, INT16_MAX, out);
    case TRIB_TYPE_INTEGER: return integer_value(&field, INT32_MIN, INT32_MAX, out);
    case TRIB_TYPE_BIGINT: return integer_value(&field, INT64_MIN, INT64_MAX, out);
    case TRIB_TYPE_DOUBLE: return double_parse(text, &out->as.real) == NUMBER_OK;
    case TRIB_TYPE_DECIMAL:
        if (!decimal_read_slow(&field, type, &wide)) return false;
        if (type.precision > 18)
            out->as.wide = wide;
        else
            out->as.integer = (int64_t)wide;
        return true;
    case TRIB_TYPE_DATE:
        if (!date_read(&field, &days)) return false;
        out->as.integer = days;
        return true;
    case TRIB_TYPE_TIMESTAMP:
        if (type.precision > 6) return false;
        return timestamp_parse(text, type.precision, &out->as.integer, &days, &zone) && zone < 0;
    default: *why = "partition columns of that type are not read"; return false;
    }
}
