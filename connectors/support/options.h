/*
 * options.h - typed access to the options of a catalog, by the connector's own option table.
 *
 * The host has checked the values against the table; options_init checks again (unknown names, missing
 * required ones, bounds, choices), so that a connector opened by anything else is safe too. Values
 * that are absent give the table's default. An Options borrows the host's array: it serves during open.
 */
#ifndef TRIB_SUPPORT_OPTIONS_H
#define TRIB_SUPPORT_OPTIONS_H

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

typedef struct Options {
    const TribOptionDef *defs; /* ends with name == NULL */
    const TribOption *values;
    uint32_t count;
    const char *catalog;
} Options;

/* Errors: CONFIGURATION naming the option, what it accepts, and line and column where known. */
Status options_init(Options *self, const char *catalog, const TribOptionDef *defs,
                    const TribOption *values, uint32_t count, Error *err) WARN_UNUSED;
/* The text of an option or its default; NULL if there is neither. `name` must be in the table. */
const char *option_text(const Options *self, const char *name);
/* INTEGER, DURATION_MS, BYTES; `otherwise` if there is neither a value nor a default. */
int64_t option_integer(const Options *self, const char *name, int64_t otherwise);
bool option_boolean(const Options *self, const char *name);
/* Which of the row's choices "a|b|c" is meant: 0, 1, 2 ...; -1 without value and default. */
int option_choice(const Options *self, const char *name);
/* Was the option given (rather than defaulted)? */
bool option_given(const Options *self, const char *name);
/* A LIST: a JSON array of strings. *out lives in the arena; 0 items if absent. */
Status option_list(const Options *self, Arena *arena, const char *name, Str **out, uint32_t *count,
                   Error *err) WARN_UNUSED;
/* An error about an option's value, with its position in the configuration. */
Status option_error(const Options *self, const char *name, Error *err, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Does `name` match `pattern`, in which * stands for any text and ? for one character? ASCII case folds. */
bool name_matches(Str pattern, Str name);

#endif
