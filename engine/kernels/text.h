/*
 * text.h - case mapping and LIKE over UTF-8.
 */
#ifndef TRIB_KERNELS_TEXT_H
#define TRIB_KERNELS_TEXT_H

#include "engine/kernels/kernel.h"

/* The simple case mapping of one code point (Unicode's UnicodeData, as Java's toLowerCase(int)). */
uint32_t unicode_lower(uint32_t code_point);
uint32_t unicode_upper(uint32_t code_point);
/* Bytes of the text in the other case; writes them if out is not NULL. */
size_t text_map_case(Str text, bool upper, char *out);
bool text_is_ascii(Str text);
/* An inline view of ASCII characters in the other case; false if it is longer or has others. */
bool text_map_inline(const StrView *text, bool upper, StrView *out);
/* The first occurrence of a part that is not empty; NULL = none. Like memmem, quick for short texts. */
const char *text_find(Str text, Str part);
/* White space in the sense of Java's Character.isWhitespace, which Trino's trim removes. */
bool unicode_is_space(uint32_t code_point);

/* A compiled LIKE pattern: literal pieces between '%', '_' matching one character. */
typedef struct LikePattern LikePattern;
/* escape < 0: none. *error = KERNEL_ERROR(...) for a wrong escape sequence (then *out is NULL). */
Status like_compile(Arena *arena, Str pattern, int32_t escape, LikePattern **out, uint8_t *error,
                    Error *err);
bool like_match(const LikePattern *pattern, Str text);
/* The one character of an ESCAPE text; false if it has another number of characters. */
bool like_escape(Str text, int32_t *escape);

#endif
