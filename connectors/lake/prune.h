/*
 * prune.h - conditions over what is known of a file before it is opened: its partitions, path and size.
 *
 * Such conditions are EXACT: every row of a file has the same values. Immutable after prune_take; any
 * thread.
 */
#ifndef TRIB_LAKE_PRUNE_H
#define TRIB_LAKE_PRUNE_H

#include "connectors/lake/lake.h"

/* What a column of the offer's table is. */
typedef struct PruneColumn {
    ColumnKind kind;
    uint32_t partition; /* COLUMN_PARTITION: which one */
    TribType type;
} PruneColumn;

typedef struct Prune {
    Arena *arena;
    uint32_t ncolumns;
    const PruneColumn *columns; /* by index of the table's column */
    const TribNode *nodes;      /* copies */
    const TribValue *values;
    uint32_t nconjuncts;
    uint32_t *conjuncts;
} Prune;

/* Can the condition be decided per file? NULL: yes; else why not. */
const char *prune_refuses(const Prune *self, const TribOffer *offer, uint32_t node);
/* Copies the offer's expressions, for the conjuncts added later. */
Status prune_begin(Prune *self, Arena *arena, const TribOffer *offer, Error *err) WARN_UNUSED;
/* The value of a column for a file; text borrows from the file. */
Status prune_value(const PruneColumn *column, const char *scheme, const TableFile *file,
                   Arena *arena, TribValue *out, Error *err) WARN_UNUSED;
/* Do all conjuncts hold for the file? */
Status prune_test(const Prune *self, const char *scheme, const TableFile *file, bool *pass,
                  Error *err) WARN_UNUSED;
/* -1, 0, 1; both of one type and not NULL. */
int prune_compare(const TribValue *a, const TribValue *b);

#endif
