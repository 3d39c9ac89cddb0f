/*
 * records.h - one .test file, run once in one session: reading its records, running them, comparing.
 */
#ifndef TRIB_TESTS_SQL_RECORDS_H
#define TRIB_TESTS_SQL_RECORDS_H

#include "engine/tributary.h"

/* A way of running statements. */
typedef struct Combination {
    const char *name;
    const char *push_down; /* exact, off, verify */
    const char *threads;
    bool spilled;
    bool buffered;              /* ReadAhead=spill */
    const char *disabled_rules; /* NULL = none */
} Combination;

typedef struct RunOptions {
    const char *config;  /* file for scripts that bring none */
    const char *without; /* what `require` is to find missing; NULL = nothing */
    bool update;         /* put what the plan records print into the file */
    bool verbose;
    uint32_t
        faults; /* allocations or spill I/O of each query that are made to fail, one at a time */
} RunOptions;

typedef struct RunCounts {
    uint32_t passed, failed;
    char skipped[128]; /* why the whole file was left out; "" = it was not */
} RunCounts;

/* Runs a file; what went wrong is printed to stdout. */
void file_run(const char *path, const Combination *combination, const RunOptions *options,
              RunCounts *counts);

#endif
