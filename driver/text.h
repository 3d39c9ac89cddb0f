/*
 * text.h - text between the application and the driver: UTF-8 inside; UTF-8 or UTF-16 outside.
 *
 * The one place of the truncation rules: output is cut at a character (no half of a surrogate pair
 * or of a UTF-8 sequence), always terminated when there is room for a terminator, and the length
 * reported is that of the whole text.
 */
#ifndef TRIB_DRIVER_TEXT_H
#define TRIB_DRIVER_TEXT_H

#include "driver/odbc.h"
#include "engine/base/text.h"

/* Where a call's text argument goes. capacity counts code units, terminator included. */
typedef struct TextOut {
    void *buffer; /* may be NULL: only the length is wanted */
    SQLLEN capacity;
    bool wide;             /* UTF-16, else UTF-8 */
    bool bytes;            /* lengths are in bytes even if wide */
    SQLSMALLINT *length16; /* either may be NULL */
    SQLINTEGER *length32;
} TextOut;

/* Writes the text and its length; true when it was cut. */
bool text_out(const TextOut *out, Str text);

/* Code units of valid UTF-8 as UTF-16. */
size_t utf16_length(const char *data, size_t len);
/* Converts as much of valid UTF-8 as fits into `capacity` units, no terminator; *used = bytes read. */
size_t utf16_put(const char *data, size_t len, SQLWCHAR *out, size_t capacity, size_t *used);
/* UTF-16 in host order of `units` units into UTF-8 on the arena, NUL-terminated; 22021 for an unpaired
 * surrogate. */
Status text_from_wide(Arena *arena, const SQLWCHAR *data, size_t units, Str *out,
                      Error *err) WARN_UNUSED;
size_t wide_length(const SQLWCHAR *data); /* up to the terminator */

#endif
