/*
 * command.h - what the sub-commands of `tributary` share: the parsed command line, opening a session,
 * running one statement, saying what went wrong.
 *
 * Everything here belongs to the main thread; a signal handler sets one flag, which the waiting loop
 * looks at.
 */
#ifndef TRIB_SETUP_COMMAND_H
#define TRIB_SETUP_COMMAND_H

#include <stdio.h>

#include "engine/tributary.h"

/* What the process returns. */
enum { RESULT_OK = 0, RESULT_FAILED = 1, RESULT_USAGE = 2, RESULT_INTERRUPTED = 130 };

typedef enum OutputFormat { OUTPUT_TABLE, OUTPUT_CSV, OUTPUT_JSON, OUTPUT_LINES } OutputFormat;

/* A parsed command line; everything lives in the arena. Immutable after parsing. */
typedef struct Invocation {
    Arena *arena;
    const char *config; /* --config; NULL = the usual places */
    const char *file;   /* -f FILE: SQL is read from there; NULL = none */
    const char *type;   /* explain --type; NULL = not given */
    bool analyze;       /* explain --analyze */
    OutputFormat format;
    SessionOption *sets; /* --set name=value */
    uint32_t nsets;
    char **words; /* what is left: SQL, catalogs */
    uint32_t nwords;
} Invocation;

int command_init(const Invocation *self);
int command_check(const Invocation *self);
int command_query(const Invocation *self);
int command_explain(const Invocation *self);
int command_settings(const Invocation *self);

/* Opens a session as the command line says; warnings go to stderr. Reports its own errors: RESULT_OK
 * or what the process is to return. */
int invocation_open(const Invocation *self, Session **out);

/* ---------------------------------------------------------------- report.c */

/* Writes an error: message, place in the text (with the line and a mark below it), detail, hint, source.
 * sql may be empty; first_line: the line of the script that the text begins on, 1-based. */
void report_error(FILE *out, const Error *err, Str sql, uint32_t first_line);
/* A WarningSink that writes to stderr. */
void report_warning(void *context, const Error *warning);

/* ---------------------------------------------------------------- run.c */

/* From now on Ctrl-C cancels the running statement; a second one ends the program. */
void run_catch_interrupts(void);
bool run_interrupted(void);
/* Prepares and executes one statement, writes what it returns to stdout. Reports its own errors. */
int run_statement(Statement *statement, Str sql, uint32_t first_line, OutputFormat format);

#endif
