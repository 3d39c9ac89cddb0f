/*
 * regexp_module.h - what the module tributary_regexp.so offers: RE2 behind C functions.
 *
 * RE2 finds the leftmost match as Perl does, in time linear in the text whatever the pattern. The module
 * is the only C++ of the product; no exception leaves it.
 */
#ifndef TRIB_FUNCTIONS_REGEXP_MODULE_H
#define TRIB_FUNCTIONS_REGEXP_MODULE_H

#include <stddef.h>
#include <stdint.h>

#define REGEXP_MODULE_VERSION 1

/* Bytes [begin, end) of the text; -1: the group took no part. */
typedef struct RegexpSpan {
    int64_t begin, end;
} RegexpSpan;

typedef struct RegexpModule {
    uint32_t version;
    /* A compiled pattern of RE2's syntax, immutable and safe from any thread; NULL with a message. */
    void *(*compile)(const char *pattern, size_t len, char *message, size_t size);
    void (*release)(void *regexp);
    uint32_t (*groups)(const void *regexp);                                   /* without group 0 */
    int64_t (*group_named)(const void *regexp, const char *name, size_t len); /* -1: none */
    /* The first match that begins at byte `from` or later; spans[0] is the whole. nspans may be 0.
     * 1 = found, 0 = none, -1 = out of memory. */
    int (*match)(const void *regexp, const char *text, size_t len, size_t from, RegexpSpan *spans,
                 uint32_t nspans);
} RegexpModule;

#endif
