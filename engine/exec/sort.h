/*
 * sort.h - the inside of op_sort and op_topn: normalised keys (sort_key.c), ordering entries
 * (sort_order.c), runs in memory and on disk (sort_run.c), merging (sort_merge.c).
 *
 * An entry is `words` 64-bit words of key and the address of a row. The key is the first bytes of
 * an encoding of all sort columns that sorts bytewise as ORDER BY does; where it does not say, rows
 * are compared column by column.
 */
#ifndef TRIB_EXEC_SORT_H
#define TRIB_EXEC_SORT_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/operator.h"
#include "engine/exec/row_store.h"

#define SORT_WORDS_MAX 4
#define SORT_ROW_DEAD  1

typedef struct SortSpec {
    uint32_t nkeys;
    const PhysSortKey *keys;
    uint32_t words;        /* of a key */
    bool fixed;            /* keys are complete in every row */
    RowLayout *layout;     /* of rows in memory: all columns of the input */
    RowLayout *run_layout; /* of rows on disk: the key in front */
    uint32_t
        dead_offset; /* the byte of a row that is 1 if it is to be left out; 0 = there is none */
} SortSpec;

/* types: of the input's columns. tail: bytes behind them; the first one says which rows are dead. */
Status sort_spec_make(Arena *arena, uint32_t ncolumns, const Type *types, uint32_t nkeys,
                      const PhysSortKey *keys, uint32_t tail, SortSpec *out,
                      Error *err) WARN_UNUSED;
static inline size_t sort_entry_bytes(const SortSpec *self) {
    return (self->words + 1) * sizeof(uint64_t);
}
static inline uint8_t *sort_entry_row(const SortSpec *self, const uint64_t *entry) {
    return (uint8_t *)(uintptr_t)entry[self->words];
}
/* Encodes `count` (<= BATCH_ROWS) rows into consecutive entries; *complete is cleared if some
 * key was cut. */
void sort_keys_encode(const SortSpec *self, uint8_t *const *rows, uint32_t count, uint64_t *entries,
                      bool *complete);
/* Compares all sort columns of two rows. */
int sort_rows_compare(const SortSpec *self, const uint8_t *a, const uint8_t *b);
/* Compares keys, and rows where the keys are equal and not exact. */
static inline int sort_compare(const SortSpec *self, bool exact, const uint64_t *key_a,
                               const uint8_t *row_a, const uint64_t *key_b, const uint8_t *row_b) {
    for (uint32_t w = 0; w < self->words; w++)
        if (key_a[w] != key_b[w]) return key_a[w] < key_b[w] ? -1 : 1;
    return exact ? 0 : sort_rows_compare(self, row_a, row_b);
}
/* Sorts entries in place. exact: equal keys are equal rows. */
Status sort_entries(const SortSpec *self, uint64_t *entries, uint64_t count, bool exact,
                    CancelToken *cancel, Error *err) WARN_UNUSED;

/* Sorted rows: in memory (entries, and the pages they point to) or on disk (pages of the run
 * layout in order). */
typedef struct SortRun {
    Block entries;
    uint64_t rows;
    PageList pages;
    bool on_disk, exact;
} SortRun;

typedef struct SortWorker {
    struct SortWorker *next;
    RowStore store;   /* rows as they come */
    RowStore writer;  /* run on disk being written */
    int64_t reserved; /* charged for entries that are yet to be made */
} SortWorker;

typedef struct SortShared {
    const PhysNode *node;
    Query *query;
    SortSpec spec;
    Grant grant;
    RowSpace space, run_space;
    int64_t limit, offset; /* limit < 0: all */
    bool one;              /* leave one sorted list: addresses, or a run */
    bool dying;            /* rows may be marked as dead before they are sorted */
    uint32_t fan_in;       /* most runs to be merged at once */

    pthread_mutex_t lock;
    bool lock_made;
    SortWorker *workers;
    SortRun *runs;
    uint32_t nruns, runs_capacity;
    bool *may_null;

    /* finish */
    _Atomic uint32_t phase, next;
    uint32_t nparts;
    uint64_t *part_from; /* [nparts + 1][nruns]: where each part begins in each run */
    /* addresses of all rows in order, when several runs in memory were merged */
    Block merged;
    uint64_t merged_rows;
    RowStore writer; /* of runs merged on disk */
} SortShared;

/* keys: over the columns of the node's child. */
Status sort_open(const PhysNode *node, Query *query, void *shared, uint32_t nkeys,
                 const PhysSortKey *keys, int64_t limit, int64_t offset, Error *err) WARN_UNUSED;
void sort_close(void *shared);

/* ---- runs */
Status sort_worker_new(SortShared *shared, SortWorker **out, Error *err) WARN_UNUSED;
/* Appends the selected rows of a batch; spills when the grant refuses. */
typedef struct SortInput {
    FlatColumn *columns;
    uint16_t *identity;
    uint64_t *hashes; /* none are needed, but the interface asks */
    uint8_t **rows;
    Arena *arena;
} SortInput;
Status sort_input_new(const SortShared *shared, Arena *arena, SortInput *out,
                      Error *err) WARN_UNUSED;
/* The batch's columns in the form that the store takes. */
Status sort_input_flatten(const SortShared *shared, SortInput *input, const Batch *in,
                          const uint16_t *selection, uint32_t count, Error *err) WARN_UNUSED;
/* Charges the entries of rows appended; the store feels the pressure. */
void sort_worker_reserve(SortShared *shared, SortWorker *self, uint32_t count);
Status sort_worker_append(SortShared *shared, SortWorker *self, SortInput *input, const Batch *in,
                          const uint16_t *selection, uint32_t count, Error *err) WARN_UNUSED;
/* Entries of all rows of the worker, sorted. */
Status sort_worker_entries(SortShared *shared, SortWorker *self, bool force, Block *entries,
                           uint64_t *rows, bool *exact, Error *err) WARN_UNUSED;
/* The worker's rows become a run: in memory if `memory` and the grant allows, else on disk. */
Status sort_worker_run(SortShared *shared, SortWorker *self, bool memory, Error *err) WARN_UNUSED;
Status sort_run_add(SortShared *self, SortRun *run, Error *err) WARN_UNUSED; /* takes it */
void sort_run_clear(SortShared *self, SortRun *run);
/* Appends a row (its key words and its address in the memory layout) to the run being written. */
Status sort_writer_add(SortShared *shared, RowStore *writer, const uint64_t *key,
                       const uint8_t *row, Error *err) WARN_UNUSED;
Status sort_writer_end(RowStore *writer, SortRun *out, Error *err) WARN_UNUSED;

/* ---- merging */
typedef struct SortCursor {
    SortRun *run;
    uint64_t at, end;    /* in memory: entries */
    uint32_t page, row;  /* on disk */
    const uint64_t *key; /* of the current row; NULL: exhausted */
    uint8_t *data;       /* its address in the memory layout */
} SortCursor;

typedef struct SortMerge {
    SortShared *shared;
    uint32_t count;
    bool exact;
    SortCursor *cursors;
    uint32_t *losers; /* tournament tree; [0] = the winner */
    uint32_t *held;   /* pairs of run and page that are to be unloaded */
    uint32_t nheld, held_capacity;
    uint64_t held_bytes;
    bool hold; /* rows of pages passed are still being used */
} SortMerge;

/* Over whole runs, or over [from[r], to[r]) of runs in memory. */
Status sort_merge_begin(SortShared *shared, SortRun *runs, uint32_t count, const uint64_t *from,
                        const uint64_t *to, SortMerge *out, Error *err) WARN_UNUSED;
static inline const SortCursor *sort_merge_top(const SortMerge *self) {
    const SortCursor *top = &self->cursors[self->losers[0]];
    return top->key ? top : NULL;
}
Status sort_merge_advance(SortMerge *self, Error *err) WARN_UNUSED;
void sort_merge_release(SortMerge *self); /* unloads pages passed */
void sort_merge_end(SortMerge *self);
/* finish(): merges runs until few enough are left; in memory, in parallel. */
Status sort_finish(OpContext *context, Step *step, Error *err) WARN_UNUSED;

typedef struct SortSource SortSource;
Status sort_produce(OpContext *context, SortSource **source, Batch *out, Step *step,
                    Error *err) WARN_UNUSED;
void sort_source_free(SortSource *self);

#endif
