/*
 * regexp.h - compiled regular expressions as kernels use them.
 */
#ifndef TRIB_FUNCTIONS_REGEXP_H
#define TRIB_FUNCTIONS_REGEXP_H

#include "engine/functions/helpers.h"
#include "engine/functions/regexp_module.h"

/* A pattern, compiled or refused. Immutable while it is used; any thread. */
typedef struct Regexp {
    const RegexpModule *module;
    void *compiled; /* NULL: refused, message says why */
    uint32_t groups;
    char message[160];
} Regexp;

/* Java's spelling of a pattern in RE2's, appended; false: it has what RE2 has not, `message` names it. */
bool regexp_translate(Str pattern, Buf *out, char *message, size_t size);
/* Compiles into a Regexp that is released with the arena. A wrong pattern is no error here. */
Status regexp_compile(Arena *arena, Str pattern, Regexp *out, Error *err) WARN_UNUSED;

/* The patterns of a call's second argument: the prepared one, or each compiled when it changes. */
typedef struct Patterns {
    const Regexp *fixed;
    Regexp *own;
    Arena *own_arena;
    Str last;
    RegexpSpan *spans; /* room for all groups and the whole of the pattern given last */
    uint32_t capacity;
} Patterns;

/* The row's pattern, NULL with the row's error if it was refused. */
Status patterns_at(Patterns *self, KernelCall *call, uint32_t row, const Regexp **out) WARN_UNUSED;
Status regexp_prepare(Arena *arena, uint32_t nargs, const Value *const *constants, void **state,
                      Error *err) WARN_UNUSED;

/* Going through the matches of a text from left to right: they do not overlap; behind an empty one the search
 * goes on a character further. */
typedef struct Matches {
    const Regexp *regexp;
    Str text;
    size_t next;
    RegexpSpan *spans; /* of the current match */
    uint32_t nspans;
} Matches;

static inline Matches matches_of(const Regexp *regexp, Str text, RegexpSpan *spans,
                                 uint32_t nspans) {
    return (Matches){.regexp = regexp, .text = text, .spans = spans, .nspans = nspans};
}
/* *found: spans hold the next match. */
Status matches_next(Matches *self, bool *found, Error *err) WARN_UNUSED;

#endif
