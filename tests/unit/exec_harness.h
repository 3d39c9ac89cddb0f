/*
 * exec_harness.h - drives one operator without the runtime: batches made of literal rows go in
 * through its roles, by several threads, and come out as lines of text.
 */
#ifndef TRIB_TEST_EXEC_HARNESS_H
#define TRIB_TEST_EXEC_HARNESS_H

#include "engine/exec/operator.h"

/* Literal rows, by column. */
typedef struct Table {
    Arena *arena;
    uint32_t ncolumns, nrows;
    Type *types;
    Value **cells; /* [column][row] */
} Table;

typedef struct Mode {
    uint32_t threads;
    bool force_spill;
    int64_t memory; /* limit of the query */
    bool encrypt;
    int64_t spill_limit; /* bytes that may be spilled; 0 = as many as it takes */
} Mode;

/* Result rows as text; sorted by lines_sort. */
typedef struct Lines {
    char **line;
    uint64_t count, capacity;
} Lines;

enum { TYPES_MOST = 24 };
/* A type of each kind that rows are kept of, maps only where rows need no order; how many there are. */
uint32_t types_every(Arena *arena, bool ordered, Type out[TYPES_MOST]);

uint64_t harness_random(uint64_t *state);
Table *table_new(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t nrows);
/* How random values are drawn: `distinct` different ones, NULL with 1 / `nulls` (0: never). */
void table_fill(Table *self, uint32_t column, uint64_t *random, uint32_t distinct, uint32_t nulls);
/* One value of a type by number: equal numbers give equal values, different ones different
 * values. */
Value value_numbered(Arena *arena, Type type, uint64_t number);

/* A node standing for a table, as the child of the node under test. */
PhysNode *node_of(Arena *arena, const Table *table);
Expr *column_of(Arena *arena, const Table *table, uint32_t ordinal, uint32_t shift);

/* Runs a node whose operator is sink and source. */
Status harness_breaker(const PhysNode *node, const Table *input, Mode mode, uint64_t seed,
                       Lines *out, uint64_t *spilled, Error *err);
/* Runs a join: build side, probe side, tail. */
Status harness_join(const PhysNode *node, const Table *probe, const Table *build, Mode mode,
                    uint64_t seed, Lines *out, uint64_t *spilled, Error *err);

void lines_add(Lines *self, const char *text);
void lines_sort(Lines *self);
void lines_clear(Lines *self);
/* Text of some cells of a row, as the harness prints result rows. value NULL: SQL's NULL. */
void cells_print(Buf *out, const Value *const *values, uint32_t count);
/* Fails the test with the first difference. ordered: as they stand. */
void lines_compare(Lines *expected, Lines *actual, bool ordered, const char *what);

#endif
