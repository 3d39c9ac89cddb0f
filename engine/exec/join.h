/*
 * join.h - the inside of op_hash_join: its build side (join_build.c), looking up batches
 * (join_probe.c), and what is left when the probe side has ended (join_tail.c).
 */
#ifndef TRIB_EXEC_JOIN_H
#define TRIB_EXEC_JOIN_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/hash_table.h"
#include "engine/exec/operator.h"

#define NO_COLUMN UINT32_MAX

/* Rows that one build worker has collected. Registered in JoinShared at once and freed with it. */
typedef struct JoinBuilder {
    struct JoinBuilder *next;
    RowStore store;   /* by partition */
    RowStore nulls;   /* rows with a NULL key that must be kept all the same */
    uint64_t dropped; /* rows with a NULL key that need not be kept */
} JoinBuilder;

/* Probe rows that one worker has put aside. Likewise. */
typedef struct JoinAside {
    struct JoinAside *next;
    RowStore store;        /* rows of spilled partitions */
    RowStore undecided[2]; /* see JoinUnknown */
} JoinAside;

/*
 * IN with NULLs where a match depends on more than one key: a row without a match is unknown if
 * some build row could match but for a NULL. Rows that have to look are put aside and look at the
 * very end.
 */
typedef enum JoinUnknown {
    UNKNOWN_NULLS, /* against build rows with a NULL key */
    UNKNOWN_ALL    /* against all build rows: the probe row's own key is NULL */
} JoinUnknown;

/* One spilled partition, to be joined in the tail. */
typedef struct JoinJob {
    PageList build, probe;
    uint32_t top; /* bits of the hash below this one have not been used */
    bool heavy;   /* splitting did not help */
    /* undecided rows against `build`: whoever could match but for a NULL is found */
    bool unknown;
} JoinJob;

/* A bound of a key of the build side, for the runtime filter. */
typedef struct JoinBound {
    Value minimum, maximum; /* is_null: none yet */
} JoinBound;

/* The span of an integer key's values; low > high: none yet. */
typedef struct KeyRange {
    int64_t low, high;
} KeyRange;

/* Which values an integer key has on the build side (join_filter.c). */
typedef struct KeyFilter {
    uint32_t key;
    PhysicalType physical;
    int64_t low;
    uint64_t last; /* value - low of the largest */
    Block bits;    /* by value - low; no data: only the bounds are known */
} KeyFilter;

/* How well a filter has done; one per worker and filter. */
typedef struct KeyTrial {
    uint64_t tested, passed;
    bool given_up;
} KeyTrial;

/* A build row by the value of the column that the condition bounds. */
typedef struct RangeEntry {
    int64_t value;
    uint8_t *row;
} RangeEntry;

/* Joins without keys: the build rows in the order of a column (join_range.c). */
typedef struct JoinRange {
    bool used;
    uint32_t ordinal, column; /* of the build side; in the build layout */
    const Expr *low,
        *high; /* over the probe side: the column is not below, not above; NULL = none */
    RowLayout *layouts[2]; /* of the bounds' values */
    Block block;           /* RangeEntry by value; no data: every pair is looked at */
    uint64_t count;
} JoinRange;

typedef struct JoinShared {
    const PhysNode *node;
    Query *query;
    JoinKind kind;
    uint32_t nkeys, nprobe, nbuild; /* keys; columns of the children */
    uint64_t null_safe, null_aware; /* masks of keys */
    bool keeps_probe;               /* LEFT, FULL: probe rows without a match are put out */
    bool keeps_build;  /* RIGHT, FULL, RIGHT_SEMI, RIGHT_ANTI: build rows are put out in the tail */
    bool only_marks;   /* RIGHT_SEMI, RIGHT_ANTI: probe rows only mark build rows */
    bool only_found;   /* SEMI, ANTI, ANTI_NULLS, MARK: whether there is a match, not which */
    bool unknown_rows; /* null_aware, and a match depends on more than that one key */
    Grant grant;
    RowSpace space;
    /* keys, then columns; the build's tail: a byte "matched" */
    RowLayout *build_layout, *probe_layout;
    /* by layout column: ordinal in the child; NO_COLUMN: a key expression */
    uint32_t *build_source, *probe_source;
    /* by ordinal: layout column, or NO_COLUMN: not needed after the join's input */
    uint32_t *build_column, *probe_column;
    bool *residual_uses; /* by ordinal of the residual: nprobe + nbuild */
    uint32_t bits;
    _Atomic uint32_t kept; /* partitions below this one stay in memory */

    pthread_mutex_t lock;
    bool lock_made;
    JoinBuilder *builders;
    JoinAside *asides;
    JoinBound *bounds; /* by key; only kept for targets */
    Arena *bounds_arena;
    KeyRange *ranges; /* by key */

    /* Made by finish(), read-only while probing. */
    _Atomic uint32_t phase;       /* of finish: 0 nothing, 1 preparing, 2 tables are being built */
    _Atomic uint32_t next, built; /* partitions taken and done */
    PageList *lists;              /* by partition */
    PageList nulls;
    JoinTable *tables;
    Block slots;     /* of all tables, one after the other */
    SpillFile *file; /* of partitions that finish() had to write */
    JoinRange range;
    uint32_t nfilters; /* at most one per key */
    KeyFilter *filters;
    bool *may_null;       /* by build layout column */
    uint64_t build_rows;  /* all, rows with NULL keys too */
    bool null_keys;       /* some build row has a NULL in a null-aware key */
    _Atomic bool chained; /* some key stands in two build rows */

    /* The tail; guarded by the lock. */
    bool tail_made;
    JoinJob *jobs;
    uint32_t njobs, jobs_capacity;
    uint32_t active;   /* jobs being worked at */
    uint32_t blocked;  /* ... by workers that wait for memory */
    PageList retained; /* pages of finished jobs that undecided rows may still look at */
    PageList undecided[2];
    uint32_t undecided_next; /* JoinUnknown whose turn it is; 2 = none */
    /* partition whose unmatched build rows come next; bits' count = the NULLs, then none */
    uint32_t next_unmatched;
    Waker *waiting;   /* by worker; wake == NULL: not waiting */
    SpillFile *files; /* of split partitions, until the end */
} JoinShared;

/* ---- build (join_build.c) */
Status join_build_consume(OpContext *context, void **local, Batch *in, Error *err) WARN_UNUSED;
Status join_build_combine(OpContext *context, void *local, Error *err) WARN_UNUSED;
Status join_build_finish(OpContext *context, void **local, Step *step, Error *err) WARN_UNUSED;
/* Enters pages in memory, hashes intact, into a table whose slots are zeroed and enough;
 * *chained is set as by join_table_insert. filtered: the keys go into the filters too. */
Status join_table_fill(JoinShared *self, const RowPage *pages, uint32_t npages, JoinTable *table,
                       ProbeScratch *scratch, ColumnRoom *rooms, FlatColumn *keys, bool filtered,
                       bool *chained, Error *err) WARN_UNUSED;
/* ---- which values integer keys have (join_filter.c) */

/* Keys whose values can be filtered by, as a mask: of joins that drop probe rows without a match. */
uint64_t join_filterable(const JoinShared *self);
/* Widens the range by `count` values, none of them NULL. */
void key_range_update(KeyRange *range, PhysicalType physical, const FlatColumn *column,
                      const uint16_t *positions, uint32_t count);
void key_range_merge(KeyRange *self, const KeyRange *other);
/* After all ranges have been merged and the partitions that stay are known. */
Status join_filters_make(JoinShared *self, Error *err) WARN_UNUSED;
void join_filters_free(JoinShared *self);
/* Enters the keys of `count` build rows; by several workers at once. */
void join_filters_fill(JoinShared *self, const FlatColumn *keys, uint32_t count);
/* Positions (of the selection, NULL = all) whose value may have a partner; out has room for `count`. */
uint32_t key_filter_test(const KeyFilter *self, const FlatColumn *column, const uint16_t *selection,
                         uint32_t count, uint16_t *out);
/* Notes how many rows passed; false once the filter is not worth its time. */
bool key_trial_pays(KeyTrial *self, uint32_t tested, uint32_t passed);

/* Takes the file (may be NULL), to be freed with the join. */
void join_file_keep(JoinShared *self, SpillFile *file);

/* ---- bounds instead of keys (join_range.c) */

/* Which part of the sorted build rows each row of a batch is paired with; one per worker. */
typedef struct RangeProbe {
    const JoinRange *range;
    Evaluator *bounds[2];
    uint64_t *from, *to; /* by index */
} RangeProbe;

Status join_range_open(JoinShared *self, Arena *arena, Error *err) WARN_UNUSED;
Status join_range_make(JoinShared *self, Error *err) WARN_UNUSED;
void join_range_free(JoinShared *self);
Status range_probe_new(JoinShared *shared, Arena *arena, RangeProbe *out, Error *err) WARN_UNUSED;
/* Finds the stretches of a batch; `arena` lives as long as the batch. */
Status range_probe_begin(RangeProbe *self, const Batch *in, const uint16_t *positions, Arena *arena,
                         Error *err) WARN_UNUSED;

/* ---- looking up batches (join_probe.c) */

typedef enum ProbeStage { PROBE_IDLE, PROBE_ALIGNED, PROBE_PAIRS, PROBE_REST } ProbeStage;

/* How one worker looks up batches, in the probe pipeline or in the tail. */
typedef struct JoinProbe {
    JoinShared *shared;
    ProbeScratch scratch; /* hashes, positions, rows: chains */
    FlatColumn *keys;     /* by position */
    Arena *arena;         /* emptied with each batch; callers may use it for keys */
    Evaluator *residual;
    Arena *pair_arena;          /* of the residual's batch */
    ColumnRoom *rooms;          /* build outputs */
    ColumnRoom *residual_rooms; /* by layout column */
    ColumnRoom *key_rooms;      /* of build rows that become a table */
    ColumnRoom mark;

    /* Where to look: tables, or (without keys) pages. */
    const JoinTable *tables;
    uint32_t shift, mask;
    const RowPage *pages;
    uint32_t npages;
    const RangeProbe *range; /* stretches of sorted rows instead of all pages; NULL = all */
    uint64_t entry;          /* the next one of the current candidate's stretch */
    bool chained;            /* the tables have chains */
    /* other build rows had or have their turn: unmatched rows are not put out yet */
    bool partial;
    bool unknown; /* a pair counts if its keys are equal or a null-aware one is NULL */

    /* The batch. */
    Batch *in;
    const uint16_t *positions;
    uint16_t *live;         /* indexes of rows to be answered, ascending */
    uint32_t nlive, nfound; /* nfound: of those looked up in tables */
    uint16_t *candidates;   /* those that may have a match */
    uint32_t ncandidates;
    uint8_t *found;    /* by index */
    uint8_t *null_key; /* by index: NULL in a null-aware key (1), in another (2) */
    ProbeStage stage;
    uint32_t at;          /* in candidates */
    const uint8_t *chain; /* next row of the current candidate */
    uint32_t page, row;   /* without tables: the next build row */
    uint32_t *pair_positions;
    uint16_t *pair_index;
    uint8_t **pair_rows;
    uint16_t *selection;
} JoinProbe;

Status join_probe_new(JoinShared *shared, Arena *arena, JoinProbe *out, Error *err) WARN_UNUSED;
/* Begins with a batch: in, keys, positions, hashes, live, candidates, null_key have been set. */
void join_probe_begin(JoinProbe *self);
/* Begins with a batch of which it is known which rows have a match: in, positions, live, found,
 * null_key are set. */
void join_probe_rest(JoinProbe *self);
/* The next output; STEP_NEED_INPUT: nothing (more) came of the batch. */
Status join_probe_next(JoinProbe *self, JoinAside *aside, Batch *out, Step *step,
                       Error *err) WARN_UNUSED;
/* Puts out build rows with NULLs for the probe side. */
Status join_build_only(JoinProbe *self, uint8_t *const *rows, uint32_t count, Batch *out,
                       Error *err) WARN_UNUSED;

/* The probe pipeline's side. */
Status join_process(OpContext *context, void **local, Batch *in, Batch *out, Step *step,
                    Error *err) WARN_UNUSED;
Status join_aside_new(JoinShared *shared, JoinAside **out, Error *err) WARN_UNUSED;

/* ---- the tail (join_tail.c) */
Status join_tail_produce(OpContext *context, void **local, Batch *out, Step *step,
                         Error *err) WARN_UNUSED;
void join_tail_free(void *local);
bool join_has_tail(JoinShared *shared);

static inline bool row_matched(const JoinShared *self, const uint8_t *row) {
    return __atomic_load_n(row + self->build_layout->tail_offset, __ATOMIC_RELAXED) != 0;
}
static inline void row_set_matched(const JoinShared *self, uint8_t *row) {
    __atomic_store_n(row + self->build_layout->tail_offset, 1, __ATOMIC_RELAXED);
}

#endif
