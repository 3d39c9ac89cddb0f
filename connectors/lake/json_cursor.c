/*
 * json_cursor.c - strings sixteen bytes at a time, nested values by a stack of bytes.
 */
#include "connectors/lake/json_cursor.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static CursorResult broken(JsonCursor *self, const char *why) {
    if (self->at >= self->end) return CURSOR_CUT;
    self->why = why;
    return CURSOR_BROKEN;
}

/* ---------------------------------------------------------------- strings */

/* The first quote, backslash or control character from `at` on. Reads into the padding. */
static inline const char *string_run(const char *at, const char *end) {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1F);
    for (; at < end; at += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_min_epu8(v, control), v));
        int mask = _mm_movemask_epi8(hit);
        if (mask) {
            at += __builtin_ctz((unsigned)mask);
            return at < end ? at : end;
        }
    }
    return end;
#else
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) at++;
    return at;
#endif
}

static int hex4(const char *at) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : -1;
        c = (char)(c | 0x20);
        if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* At a backslash: checks the escape and steps over it. */
static CursorResult escape_check(JsonCursor *self) {
    ptrdiff_t left = self->end - self->at;
    if (left < 2) return CURSOR_CUT;
    if (self->at[1] != 'u') {
        if (!self->at[1] || !strchr("\"\\/bfnrt", self->at[1]))
            return broken(self, "an unknown escape in a string");
        self->at += 2;
        return CURSOR_OK;
    }
    if (left < 6) return CURSOR_CUT;
    int code = hex4(self->at + 2);
    if (code < 0) return broken(self, "\\u without four hexadecimal digits");
    if (code >= 0xDC00 && code <= 0xDFFF)
        return broken(self, "a low surrogate without a high one before it");
    if (code < 0xD800 || code > 0xDBFF) {
        self->at += 6;
        return CURSOR_OK;
    }
    /* What the padding holds is no escape: a buffer's end is told by its length. */
    bool pair = (left < 7 || self->at[6] == '\\') && (left < 8 || self->at[7] == 'u');
    if (pair && left < 12) return CURSOR_CUT;
    int low = pair ? hex4(self->at + 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return broken(self, "a high surrogate without a low one behind it");
    self->at += 12;
    return CURSOR_OK;
}

CursorResult cursor_string(JsonCursor *self, Str *raw, bool *escaped) {
    const char *begin = ++self->at;
    *escaped = false;
    for (;;) {
        self->at = string_run(self->at, self->end);
        if (self->at == self->end) return CURSOR_CUT;
        if (*self->at == '"') break;
        if (*self->at != '\\') return broken(self, "a control character in a string");
        *escaped = true;
        CursorResult result = escape_check(self);
        if (result != CURSOR_OK) return result;
    }
    *raw = (Str){begin, (size_t)(self->at - begin)};
    self->at++;
    return CURSOR_OK;
}

CursorResult cursor_decode(JsonCursor *self, Str raw, Str *out) {
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    char *copy = arena_alloc(self->arena, raw.len + FIELD_PADDING);
    size_t n = 0;
    if (!copy) return CURSOR_NO_MEMORY;
    for (size_t i = 0; i < raw.len;) {
        if (raw.data[i] != '\\') {
            copy[n++] = raw.data[i++];
            continue;
        }
        if (raw.data[i + 1] != 'u') {
            copy[n++] = bytes[strchr(letters, raw.data[i + 1]) - letters];
            i += 2;
            continue;
        }
        uint32_t code = (uint32_t)hex4(raw.data + i + 2);
        i += 6;
        if (code >= 0xD800 && code <= 0xDBFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)hex4(raw.data + i + 2) - 0xDC00);
            i += 6;
        }
        n += utf8_put(copy + n, code);
    }
    *out = (Str){copy, n};
    return CURSOR_OK;
}

/* ---------------------------------------------------------------- scalars */

static inline bool digits(JsonCursor *self) {
    const char *begin = self->at;
    while (self->at < self->end && (unsigned)(*self->at - '0') <= 9) self->at++;
    return self->at > begin;
}

static CursorResult number(JsonCursor *self) {
    if (*self->at == '-') self->at++;
    if (self->at < self->end && *self->at == '0')
        self->at++;
    else if (!digits(self))
        return broken(self, "a digit should stand here");
    if (self->at < self->end && *self->at == '.') {
        self->at++;
        if (!digits(self)) return broken(self, "a digit should stand here");
    }
    if (self->at < self->end && (*self->at | 0x20) == 'e') {
        self->at++;
        if (self->at < self->end && (*self->at == '+' || *self->at == '-')) self->at++;
        if (!digits(self)) return broken(self, "a digit should stand here");
    }
    if (self->at < self->end && (unsigned)(*self->at - '0') <= 9)
        return broken(self, "a number begins with 0");
    return CURSOR_OK;
}

static CursorResult word(JsonCursor *self, const char *text, size_t length) {
    size_t left = (size_t)(self->end - self->at), n = left < length ? left : length;
    if (memcmp(self->at, text, n) != 0) return broken(self, "a value should stand here");
    if (n < length) {
        self->at = self->end;
        return CURSOR_CUT;
    }
    self->at += length;
    return CURSOR_OK;
}

static CursorResult scalar(JsonCursor *self, CursorKind *kind, bool *escaped) {
    Str inner;
    *escaped = false;
    switch (*self->at) {
    case '"': *kind = CURSOR_STRING; return cursor_string(self, &inner, escaped);
    case 't': *kind = CURSOR_SCALAR; return word(self, "true", 4);
    case 'f': *kind = CURSOR_SCALAR; return word(self, "false", 5);
    case 'n': *kind = CURSOR_NULL; return word(self, "null", 4);
    default: break;
    }
    *kind = CURSOR_SCALAR;
    if (*self->at == '-' || (unsigned)(*self->at - '0') <= 9) return number(self);
    return broken(self, "a value should stand here");
}

/* ---------------------------------------------------------------- nested values */

/* Behind the opening brace or a comma of an object: a key and its colon. */
static CursorResult key(JsonCursor *self) {
    Str name;
    bool escaped;
    cursor_blanks(self);
    if (self->at == self->end) return CURSOR_CUT;
    if (*self->at != '"') return broken(self, "a key should stand here");
    CursorResult result = cursor_string(self, &name, &escaped);
    if (result != CURSOR_OK) return result;
    cursor_blanks(self);
    if (self->at == self->end) return CURSOR_CUT;
    if (*self->at != ':') return broken(self, "a colon should stand here");
    self->at++;
    return CURSOR_OK;
}

/* Behind a value: closes what ends here. *depth 0: all is closed; else a value follows. */
static CursorResult containers_close(JsonCursor *self, uint32_t *depth) {
    while (*depth) {
        uint8_t kind = self->stack[*depth - 1];
        cursor_blanks(self);
        if (self->at == self->end) return CURSOR_CUT;
        if (*self->at == ',') {
            self->at++;
            return kind == '{' ? key(self) : CURSOR_OK;
        }
        if (*self->at != (kind == '{' ? '}' : ']'))
            return broken(self, "a comma or the end of the object or array should stand here");
        self->at++;
        (*depth)--;
    }
    return CURSOR_OK;
}

static CursorResult nested(JsonCursor *self) {
    uint32_t depth = 0;
    do {
        CursorResult result;
        CursorKind kind;
        bool escaped;
        cursor_blanks(self);
        if (self->at == self->end) return CURSOR_CUT;
        char c = *self->at;
        if (c == '{' || c == '[') {
            if (depth == self->max_depth) return CURSOR_DEEP;
            self->stack[depth++] = (uint8_t)c;
            self->at++;
            cursor_blanks(self);
            if (self->at == self->end) return CURSOR_CUT;
            if (*self->at != (c == '{' ? '}' : ']')) {
                if (c == '{' && (result = key(self)) != CURSOR_OK) return result;
                continue;
            }
            self->at++;
            depth--;
        } else if ((result = scalar(self, &kind, &escaped)) != CURSOR_OK) {
            return result;
        }
        if ((result = containers_close(self, &depth)) != CURSOR_OK) return result;
    } while (depth);
    return CURSOR_OK;
}

CursorResult cursor_value(JsonCursor *self, CursorKind *kind, Str *raw, bool *escaped) {
    const char *begin = self->at;
    CursorResult result;
    if (self->at == self->end) return CURSOR_CUT;
    *escaped = false;
    if (*begin == '{' || *begin == '[') {
        *kind = CURSOR_NESTED;
        result = nested(self);
    } else {
        result = scalar(self, kind, escaped);
    }
    *raw = (Str){begin, (size_t)(self->at - begin)};
    return result;
}

/* ---------------------------------------------------------------- fields */

CursorResult cursor_field(JsonCursor *self, CursorKind kind, Str raw, bool escaped, bool json,
                          Field *out) {
    if (kind == CURSOR_NULL) {
        *out = (Field){raw.data, 0, FIELD_NULL};
        return CURSOR_OK;
    }
    *out = (Field){raw.data, (uint32_t)raw.len, FIELD_JSON};
    if (kind != CURSOR_STRING || json) return CURSOR_OK;
    Str inner = {raw.data + 1, raw.len - 2};
    if (escaped) {
        CursorResult result = cursor_decode(self, inner, &inner);
        if (result != CURSOR_OK) return result;
    }
    *out = (Field){inner.data, (uint32_t)inner.len, FIELD_QUOTED};
    return CURSOR_OK;
}
