/*
 * text.c - slices, growing buffers and UTF-8.
 *
 * Formatting goes through text_vformat, which switches the calling thread to the C locale for the
 * time of one vsnprintf and back, so that a comma as decimal point never reaches SQL or a file.
 * Functions over slices allocate nothing. A Buf belongs to one thread.
 */
#include <inttypes.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>

#include "engine/base/text.h"

/* ---------------------------------------------------------------- the C locale */

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void locale_make(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t text_c_locale(void) {
    pthread_once(&locale_once, locale_make);
    return c_locale;
}

int text_vformat(char *out, size_t size, const char *format, va_list arguments) {
    locale_t previous = uselocale(text_c_locale());
    int length = vsnprintf(out, size, format, arguments);
    uselocale(previous);
    return length;
}

int text_format(char *out, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = text_vformat(out, size, format, arguments);
    va_end(arguments);
    return length;
}

/* ---------------------------------------------------------------- slices */

static inline unsigned char fold(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

int str_compare(Str a, Str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;
    if (order != 0) return order < 0 ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_equal_fold(Str a, Str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (fold(a.data[i]) != fold(b.data[i])) return false;
    }
    return true;
}

int str_compare_fold(Str a, Str b) {
    size_t shorter = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < shorter; i++) {
        unsigned char x = fold(a.data[i]), y = fold(b.data[i]);
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

Str str_trim(Str s) {
    while (s.len && is_space(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_space(s.data[s.len - 1])) s.len--;
    return s;
}

char *str_dup(Arena *arena, Str s) {
    return arena_copy(arena, s.data, s.len);
}

#define DISTANCE_LIMIT 31

/* Levenshtein restricted to the band of diagonals -limit .. limit (Ukkonen 1985): cell [d] of row i
 * stands for column i + d - limit. */
uint32_t str_distance(Str a, Str b, uint32_t limit) {
    uint32_t row[2 * DISTANCE_LIMIT + 3];
    if (limit > DISTANCE_LIMIT) limit = DISTANCE_LIMIT;
    uint32_t far = limit + 1, width = 2 * limit + 1;
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (gap > limit) return far;
    for (uint32_t d = 0; d <= width; d++) row[d] = d < limit || d == width ? far : d - limit;
    for (size_t i = 1; i <= a.len; i++) {
        uint32_t best = far;
        for (uint32_t d = 0; d < width; d++) {
            int64_t j = (int64_t)i + d - limit;
            uint32_t cost = far;
            if (j >= 0 && j <= (int64_t)b.len) {
                if (j == 0) {
                    cost = i < far ? (uint32_t)i : far;
                } else {
                    cost = row[d] + (fold(a.data[i - 1]) != fold(b.data[j - 1]));
                    if (row[d + 1] + 1 < cost) cost = row[d + 1] + 1;
                    if (d > 0 && row[d - 1] + 1 < cost) cost = row[d - 1] + 1;
                    if (cost > far) cost = far;
                }
            }
            row[d] = cost;
            if (cost < best) best = cost;
        }
        if (best >= far) return far;
    }
    return row[(int64_t)b.len - (int64_t)a.len + limit];
}

/* ---------------------------------------------------------------- buffers */

void buf_init(Buf *self, Arena *arena, size_t max) {
    *self = (Buf){.arena = arena, .max = max};
}

void buf_clear(Buf *self) {
    if (!self->arena) heap_free(self->data);
    self->data = NULL;
    self->len = self->cap = 0;
    self->failed = self->exceeded = false;
}

char *buf_reserve(Buf *self, size_t bytes) {
    if (self->failed) return NULL;
    if (bytes > self->max || self->len > self->max - bytes || self->max > PTRDIFF_MAX / 4) {
        if (self->max > PTRDIFF_MAX / 4 && bytes <= PTRDIFF_MAX / 4 &&
            self->len <= PTRDIFF_MAX / 4 - bytes) {
            /* "no maximum" given as SIZE_MAX: nothing is exceeded yet */
        } else {
            self->failed = self->exceeded = true;
            return NULL;
        }
    }
    size_t need = self->len + bytes + 1;
    if (need > self->cap) {
        size_t cap = self->cap ? self->cap * 2 : 64;
        if (cap < need) cap = need;
        if (self->max < PTRDIFF_MAX / 4 && cap > self->max + 1) cap = self->max + 1;
        char *data = self->arena ? arena_resize(self->arena, self->data, self->cap, cap)
                                 : heap_resize(self->data, cap);
        if (!data) {
            self->failed = true;
            return NULL;
        }
        self->data = data;
        self->cap = cap;
        self->data[self->len] = '\0';
    }
    return self->data + self->len;
}

void buf_add(Buf *self, const void *data, size_t bytes) {
    if (bytes == 0) return;
    char *room = buf_reserve(self, bytes);
    if (!room) return;
    memcpy(room, data, bytes);
    self->len += bytes;
    self->data[self->len] = '\0';
}

void buf_str(Buf *self, Str s) {
    buf_add(self, s.data, s.len);
}

void buf_text(Buf *self, const char *text) {
    buf_add(self, text, strlen(text));
}

void buf_char(Buf *self, char c) {
    buf_add(self, &c, 1);
}

void buf_fill(Buf *self, char c, uint64_t count) {
    if (count == 0) return;
    char *room = buf_reserve(self, count);
    if (!room) return;
    memset(room, c, count);
    self->len += count;
    self->data[self->len] = '\0';
}

void buf_printf(Buf *self, const char *format, ...) {
    char small[256];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = text_vformat(small, sizeof small, format, arguments);
    va_end(arguments);
    if (length < 0) {
        self->failed = true;
    } else if ((size_t)length < sizeof small) {
        buf_add(self, small, (size_t)length);
    } else {
        char *room = buf_reserve(self, (size_t)length);
        if (room) {
            text_vformat(room, (size_t)length + 1, format, again);
            self->len += (size_t)length;
        }
    }
    va_end(again);
}

void buf_bytes(Buf *self, uint64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (bytes < 1024) {
        buf_printf(self, "%" PRIu64 " bytes", bytes);
        return;
    }
    double value = (double)bytes / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < COUNT_OF(units); unit++) value /= 1024;
    buf_printf(self, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

Status buf_status(const Buf *self, Error *err) {
    if (!self->failed) return TRIB_OK;
    if (self->exceeded)
        return error_set(err, ERR_LIMIT, "a text is longer than the maximum of %zu bytes",
                         self->max);
    return error_out_of_memory(err);
}

/* ---------------------------------------------------------------- UTF-8 */

/* Length of the well-formed sequence at p (Unicode 15, table 3-7), 0 if there is none. */
static inline size_t utf8_sequence(const unsigned char *p, size_t left) {
    if (p[0] < 0x80) return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4) return 0;
    size_t length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (left < length) return 0;
    unsigned char low = 0x80, high = 0xBF;
    switch (p[0]) {
    case 0xE0: low = 0xA0; break;
    case 0xED: high = 0x9F; break;
    case 0xF0: low = 0x90; break;
    case 0xF4: high = 0x8F; break;
    default: break;
    }
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80) return 0;
    }
    return length;
}

bool utf8_valid(const char *data, size_t len) {
    const unsigned char *p = (const unsigned char *)data;
    size_t at = 0;
    while (at < len) {
        while (at + 8 <= len) {
            uint64_t word;
            memcpy(&word, p + at, sizeof word);
            if (word & UINT64_C(0x8080808080808080)) break;
            at += 8;
        }
        while (at < len && p[at] < 0x80) at++;
        while (at < len && p[at] >= 0x80) {
            size_t length = utf8_sequence(p + at, len - at);
            if (length == 0) return false;
            at += length;
        }
    }
    return true;
}

size_t utf8_length(const char *data, size_t len) {
    size_t count = 0;
    for (size_t i = 0; i < len; i++) count += ((unsigned char)data[i] & 0xC0) != 0x80;
    return count;
}

int32_t utf8_next(const char *data, size_t len, size_t *at) {
    const unsigned char *p = (const unsigned char *)data + *at;
    if (*at >= len) return -1;
    size_t length = utf8_sequence(p, len - *at);
    if (length == 0) {
        *at += 1;
        return -1;
    }
    *at += length;
    switch (length) {
    case 1: return p[0];
    case 2: return (p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (p[0] & 0x0F) << 12 | (p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    default: return (p[0] & 0x07) << 18 | (p[1] & 0x3F) << 12 | (p[2] & 0x3F) << 6 | (p[3] & 0x3F);
    }
}

size_t utf8_put(char out[4], uint32_t code_point) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        if (code_point >= 0xD800 && code_point <= 0xDFFF) return 0;
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    if (code_point > 0x10FFFF) return 0;
    out[0] = (char)(0xF0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

size_t utf8_cut(const char *data, size_t len, size_t bytes) {
    if (bytes >= len) return len;
    size_t at = bytes;
    while (at > 0 && bytes - at < 4 && ((unsigned char)data[at] & 0xC0) == 0x80) at--;
    /* Four continuation bytes in a row are not UTF-8: there is no character to keep whole. */
    return ((unsigned char)data[at] & 0xC0) == 0x80 ? bytes : at;
}

size_t utf8_offset(const char *data, size_t len, size_t characters) {
    size_t at = 0;
    while (at < len && characters > 0) {
        at++;
        while (at < len && ((unsigned char)data[at] & 0xC0) == 0x80) at++;
        characters--;
    }
    return at;
}
