/*
 * text.c - UTF-8 to UTF-16 and back, truncation.
 *
 * Runs of ASCII are widened eight bytes at a time. Stored UTF-16 goes through memcpy: buffers of
 * row-wise binding and byte offsets need not be aligned. No function looks at the locale.
 */
#include "driver/text.h"

#define ASCII_MASK UINT64_C(0x8080808080808080)

typedef uint8_t Bytes8 __attribute__((vector_size(8)));
typedef uint16_t Units8 __attribute__((vector_size(16)));

static inline bool ascii8(const char *data) {
    uint64_t word;
    memcpy(&word, data, 8);
    return (word & ASCII_MASK) == 0;
}

static inline void widen8(const char *data, char *out) {
    Bytes8 bytes;
    memcpy(&bytes, data, 8);
    Units8 units = __builtin_convertvector(bytes, Units8);
    memcpy(out, &units, 16);
}

size_t utf16_length(const char *data, size_t len) {
    size_t units = 0, i = 0;
    while (i + 8 <= len) {
        if (ascii8(data + i)) {
            units += 8;
            i += 8;
            continue;
        }
        for (size_t end = i + 8; i < end; i++) {
            uint8_t byte = (uint8_t)data[i];
            units += (byte & 0xC0) != 0x80; /* not a continuation */
            units += byte >= 0xF0;          /* a pair */
        }
    }
    for (; i < len; i++) {
        uint8_t byte = (uint8_t)data[i];
        units += ((byte & 0xC0) != 0x80) + (byte >= 0xF0);
    }
    return units;
}

static inline void unit_store(char *out, uint16_t unit) {
    memcpy(out, &unit, 2);
}

/* One character beyond ASCII at data[*at]; units written, 0 if there is no room for them. */
static size_t utf16_character(const char *data, size_t len, size_t *at, char *out, size_t room) {
    size_t next = *at;
    int32_t c = utf8_next(data, len, &next);
    if (c < 0) c = 0xFFFD;
    size_t units = c >= 0x10000 ? 2 : 1;
    if (units > room) return 0;
    if (units == 2) {
        unit_store(out, (uint16_t)(0xD800 + ((c - 0x10000) >> 10)));
        unit_store(out + 2, (uint16_t)(0xDC00 + ((c - 0x10000) & 0x3FF)));
    } else {
        unit_store(out, (uint16_t)c);
    }
    *at = next;
    return units;
}

size_t utf16_put(const char *data, size_t len, SQLWCHAR *target, size_t capacity, size_t *used) {
    char *out = (char *)target;
    size_t i = 0, n = 0;
    while (i < len && n < capacity) {
        if (i + 8 <= len && n + 8 <= capacity && ascii8(data + i)) {
            widen8(data + i, out + n * 2);
            i += 8;
            n += 8;
        } else if ((uint8_t)data[i] < 0x80) {
            unit_store(out + n++ * 2, (uint8_t)data[i++]);
        } else {
            size_t units = utf16_character(data, len, &i, out + n * 2, capacity - n);
            if (units == 0) break;
            n += units;
        }
    }
    *used = i;
    return n;
}

size_t wide_length(const SQLWCHAR *data) {
    const char *bytes = (const char *)data;
    size_t units = 0;
    for (;; units++) {
        uint16_t unit;
        memcpy(&unit, bytes + units * 2, 2);
        if (unit == 0) return units;
    }
}

static inline uint16_t unit_at(const SQLWCHAR *data, size_t i) {
    uint16_t unit;
    memcpy(&unit, (const char *)data + i * 2, 2);
    return unit;
}

Status text_from_wide(Arena *arena, const SQLWCHAR *data, size_t units, Str *out, Error *err) {
    char *text;
    TRY_ALLOC(text, units < SIZE_MAX / 4 ? arena_alloc(arena, units * 3 + 1) : NULL, err);
    size_t n = 0;
    for (size_t i = 0; i < units; i++) {
        uint32_t c = unit_at(data, i);
        if (c >= 0xD800 && c <= 0xDFFF) {
            uint32_t low = i + 1 < units ? unit_at(data, i + 1) : 0;
            if (c > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
                return error_set(err, ERR_INVALID_ENCODING,
                                 "the UTF-16 text has an unpaired surrogate at character %zu",
                                 i + 1);
            c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
            i++;
        }
        n += utf8_put(text + n, c);
    }
    text[n] = 0;
    *out = (Str){text, n};
    return TRIB_OK;
}

static void length_out(const TextOut *out, size_t units) {
    size_t length = out->bytes && out->wide ? units * 2 : units;
    if (out->length16) *out->length16 = length > INT16_MAX ? INT16_MAX : (SQLSMALLINT)length;
    if (out->length32) *out->length32 = length > INT32_MAX ? INT32_MAX : (SQLINTEGER)length;
}

bool text_out(const TextOut *out, Str text) {
    size_t units = out->wide ? utf16_length(text.data, text.len) : text.len;
    length_out(out, units);
    if (!out->buffer) return false;
    if (out->capacity <= 0) return true;
    size_t room = (size_t)out->capacity - 1, n, used;
    if (out->wide) {
        n = utf16_put(text.data, text.len, out->buffer, room, &used);
        unit_store((char *)out->buffer + n * 2, 0);
    } else {
        n = units <= room ? units : utf8_cut(text.data, text.len, room);
        if (n) memcpy(out->buffer, text.data, n);
        ((char *)out->buffer)[n] = 0;
    }
    return n < units;
}
