/*
 * verify_sample.h - is one multiset of rows contained in another? By hashes, in bounded memory.
 *
 * First the rows of the one side are added, by several workers with a list each; then the lists are
 * joined to a table, from which the rows of the other side are taken away; what is left is not
 * contained. Where memory ends only hashes with their lowest bits zero are kept, on both sides alike: a
 * sample, in which wrong rows are still likely to be found and right ones are never called wrong.
 */
#ifndef TRIB_EXEC_VERIFY_SAMPLE_H
#define TRIB_EXEC_VERIFY_SAMPLE_H

#include "engine/base/grant.h"

/* Hashes of one worker. Zero-initialised; owned by the worker until it is joined. */
typedef struct SampleList {
    struct SampleList *next;
    uint64_t *hashes;
    uint64_t count, capacity;
    uint32_t thinned; /* lowest bits that are zero in all that were kept */
} SampleList;

typedef struct SampleTable {
    uint64_t *hashes; /* open addressing; 0 = free */
    _Atomic int64_t *left;
    uint64_t slots;
    uint32_t thinned;
} SampleTable;

void sample_add(SampleList *self, Grant *grant, uint64_t hash);
void sample_clear(SampleList *self, Grant *grant);
/* Joins the lists. Called once, after the last sample_add. */
void sample_join(SampleTable *self, Grant *grant, const SampleList *lists);
/* Takes one row away, if it is there. Any thread, after sample_join. */
void sample_take(SampleTable *self, uint64_t hash);
/* Rows that were not taken away. */
uint64_t sample_left(const SampleTable *self);
void sample_table_clear(SampleTable *self, Grant *grant);

#endif
