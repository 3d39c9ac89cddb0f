/*
 * text.h - byte strings: a borrowed slice (Str), a growing buffer (Buf), UTF-8.
 */
#ifndef TRIB_BASE_TEXT_H
#define TRIB_BASE_TEXT_H

#include <locale.h>
#include <string.h>

#include "engine/base/arena.h"

/* A slice of UTF-8 text that somebody else owns; not NUL-terminated. */
typedef struct Str {
    const char *data;
    size_t len;
} Str;

#define STR(literal)  ((Str){(literal), sizeof(literal) - 1})
#define STR_FORMAT    "%.*s"
#define STR_ARGS(str) (int)(str).len, (str).data

static inline Str str_from(const char *text) {
    return (Str){text, text ? strlen(text) : 0};
}
static inline bool str_equal(Str a, Str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}
int str_compare(Str a, Str b); /* bytewise = by code point */
/* ASCII letters fold; other bytes compare as they are. Independent of the locale. */
bool str_equal_fold(Str a, Str b);
int str_compare_fold(Str a, Str b);
Str str_trim(Str s);                /* ASCII white space */
char *str_dup(Arena *arena, Str s); /* NUL-terminated copy, NULL when exhausted */
/* Levenshtein distance over bytes with ASCII folding, at most `limit` + 1: "did you mean". */
uint32_t str_distance(Str a, Str b, uint32_t limit);

/* A growing byte buffer on an arena. `max` bytes is a hard limit; a failed append sets `failed` and
 * leaves the contents as they were, so a sequence of appends needs one check at its end. */
typedef struct Buf {
    Arena *arena; /* NULL: on the heap, freed by buf_clear */
    char *data;   /* NUL-terminated unless NULL */
    size_t len, cap, max;
    bool failed;
    bool exceeded; /* it failed because of `max` */
} Buf;

void buf_init(Buf *self, Arena *arena, size_t max);
void buf_clear(Buf *self);
void buf_add(Buf *self, const void *data, size_t bytes);
void buf_str(Buf *self, Str s);
void buf_text(Buf *self, const char *text);
void buf_char(Buf *self, char c);
void buf_fill(Buf *self, char c, uint64_t count); /* all of them, or it fails at once */
void buf_printf(Buf *self, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_bytes(Buf *self, uint64_t bytes); /* for people: 512 bytes, 3.4 KiB, 12 MiB */
/* Room for `bytes` more, NULL when impossible; the caller then adds to len what it wrote. */
char *buf_reserve(Buf *self, size_t bytes);
static inline Str buf_view(const Buf *self) {
    return (Str){self->data ? self->data : "", self->len};
}
Status buf_status(const Buf *self, Error *err); /* out of memory or over the limit */

/* snprintf in the C locale, whatever the thread's is. The result counts as snprintf's does. */
int text_format(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int text_vformat(char *out, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);
locale_t text_c_locale(void); /* of the process; never freed */

/* UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(const char *data, size_t len);
size_t utf8_length(const char *data, size_t len); /* code points; input must be valid */
/* Decodes one code point at data[*at], advances *at; -1 on an invalid sequence (advances by 1). */
int32_t utf8_next(const char *data, size_t len, size_t *at);
size_t utf8_put(char out[4], uint32_t code_point); /* bytes written, 0 if not a scalar value */
/* The largest prefix of at most `bytes` bytes that does not cut a character. */
size_t utf8_cut(const char *data, size_t len, size_t bytes);
size_t utf8_offset(const char *data, size_t len,
                   size_t characters); /* byte offset of the nth character */

#endif
