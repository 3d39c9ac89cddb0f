/*
 * window.h - the inside of op_window: sorted rows by number (window_rows.c), frames (window_frame.c), and
 * what is computed over them: ranks (window_rank.c), values of other rows (window_value.c), aggregates
 * (window_aggregate.c, window_tree.c).
 *
 * All rows of the input stand in one order, by partition and then by ORDER BY, and are addressed by their
 * number in it. A worker goes through a range of whole partitions batch by batch; for each piece of a
 * partition in the batch every function is asked for the piece's results.
 */
#ifndef TRIB_EXEC_WINDOW_H
#define TRIB_EXEC_WINDOW_H

#include "engine/exec/sort.h"

#define WINDOW_RECENT 8 /* pages that single rows were looked at in and that stay in memory */
#define ROW_NONE      UINT64_MAX

/* ---- rows in order (window_rows.c): one worker's view */

typedef struct WindowRows {
    const SortShared *sort;
    const RowLayout *layout;
    uint64_t count;
    /* In memory: the addresses, `stride` words apart. */
    const uint64_t *next;
    uint32_t stride;
    /* On disk: pages of the run; NULL = in memory. */
    PageList *pages;
    uint64_t *first;                         /* [pages + 1] number of each page's first row */
    uint32_t *holds;                         /* [pages] */
    uint32_t recent[WINDOW_RECENT], nrecent; /* the one used last comes first */
    uint32_t found;                          /* the page looked at last */
    uint64_t turns;                          /* from one page to another, for single rows, so far */
} WindowRows;

/* Pages that must stay. */
typedef struct WindowHold {
    uint32_t from, to; /* pages */
} WindowHold;

/* Over what sort_finish left with `one` set. Memory is the arena's. */
Status window_rows_open(WindowRows *self, SortShared *sort, Arena *arena, Error *err) WARN_UNUSED;
void window_rows_close(WindowRows *self);
Status window_row_load(WindowRows *self, uint64_t row, uint8_t **out, Error *err) WARN_UNUSED;
/* A row's address: on disk valid until rows of WINDOW_RECENT - 1 other pages have been asked for. */
static inline Status window_row(WindowRows *self, uint64_t row, uint8_t **out, Error *err) {
    if (self->pages) return window_row_load(self, row, out, err);
    *out = (uint8_t *)(uintptr_t)self->next[row * self->stride];
    return TRIB_OK;
}
/* Keeps the rows [from, *to) in memory; *to is lowered where they would take more than `bytes` (one page
 * stays always). What `hold` held before is let go. */
Status window_rows_hold(WindowRows *self, uint64_t from, uint64_t *to, uint64_t bytes,
                        WindowHold *hold, Error *err) WARN_UNUSED;
void window_rows_release(WindowRows *self, WindowHold *hold);
/* Addresses of rows that are held. */
void window_rows_addresses(WindowRows *self, uint64_t from, uint32_t count, uint8_t **out);

/* ---- the operator's state */

typedef struct WindowEval WindowEval;

typedef struct WindowShared {
    SortShared sort; /* first: the parts of sort.h work on it */
    const PhysNode *node;
    PhysSortKey *keys;
    _Atomic uint32_t next_chunk;
    uint32_t nchunks; /* 0: not known yet; guarded by the sort's lock */
    uint64_t rows;
} WindowShared;

/* One worker's way through its partitions. */
typedef struct WindowSource {
    WindowShared *shared;
    const PhysNode *node;
    Query *query;
    Arena *arena;
    WindowRows rows;
    uint64_t low, at, high; /* the chunk; the next row */
    uint32_t chunk_level;   /* chunks hold whole runs of rows that are equal in so many keys */
    bool divisible;         /* chunks are parts of a single partition */
    uint64_t part_start, part_end; /* the partition that the piece belongs to */
    uint8_t **addresses;           /* [-1 .. BATCH_ROWS) of the batch's rows */
    uint16_t differs[BATCH_ROWS];  /* the first key in which the row differs from that before it */
    uint16_t identity[BATCH_ROWS];
    WindowHold hold;
    ColumnRoom *rooms; /* of the columns passed through */
    WindowEval **evals;
} WindowSource;

/* Consecutive rows of one partition, all in the batch. */
typedef struct WindowPiece {
    uint64_t row; /* number of the first */
    uint32_t count;
    uint32_t position; /* of the first, in the batch */
    bool begins;       /* the partition begins here */
} WindowPiece;

/* How a kind of function is computed; the evaluation begins with these members. */
typedef struct WindowKind {
    Status (*piece)(WindowEval *self, const WindowPiece *piece, Error *err);
    /* The results of the batch's rows; what they borrow lives until the next batch. */
    Status (*output)(WindowEval *self, uint32_t count, Batch *out, Vector *result, Error *err);
    void (*close)(WindowEval *self); /* may be NULL */
} WindowKind;

struct WindowEval {
    const WindowKind *kind;
    const PhysWindow *window;
    WindowSource *source;
    uint32_t level; /* keys that make peers */
};

Status window_rank_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                       Error *err) WARN_UNUSED;
Status window_value_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                        Error *err) WARN_UNUSED;
Status window_aggregate_new(WindowSource *source, const PhysWindow *window, WindowEval **out,
                            Error *err) WARN_UNUSED;
/* Is the row at a piece's index the first of its peers (by the first `level` keys)? */
static inline bool window_new_peers(const WindowSource *self, const WindowPiece *piece, uint32_t i,
                                    uint32_t level) {
    return (i == 0 && piece->begins) || self->differs[piece->position + i] < level;
}
/* Are two rows equal in the first `level` keys? */
bool window_rows_alike(const WindowShared *shared, const uint8_t *a, const uint8_t *b,
                       uint32_t level);
/* The first row behind `row` that is not its equal in the first `level` keys, at most limit. */
Status window_run_end(WindowSource *self, uint64_t row, uint64_t limit, uint32_t level,
                      uint64_t *out, Error *err) WARN_UNUSED;
/* The first row of those equal to `row`, at least limit. */
Status window_run_start(WindowSource *self, uint64_t row, uint64_t limit, uint32_t level,
                        uint64_t *out, Error *err) WARN_UNUSED;
/* Behind the last peer of each row of the piece. */
Status window_peer_ends(WindowSource *self, const WindowPiece *piece, uint32_t level, uint64_t *out,
                        Error *err) WARN_UNUSED;

/* ---- whole numbers: offsets, buckets, positions (window_frame.c) */

/* A bigint argument: a constant, or a column. */
typedef struct WindowNumber {
    bool constant, null;
    int64_t value;
    uint32_t ordinal;
} WindowNumber;
WindowNumber window_number(const PhysWindow *window, uint32_t arg);
/* Its value for a row; false: NULL. */
static inline bool window_number_get(const WindowNumber *self, const RowLayout *layout,
                                     const uint8_t *row, int64_t *out) {
    *out = self->value;
    if (self->constant) return !self->null;
    if (row_is_null(layout, row, self->ordinal)) return false;
    memcpy(out, row + layout->columns[self->ordinal].offset, sizeof *out);
    return true;
}

/* ---- frames (window_frame.c) */

/* Where a bound stood for the row before. */
typedef struct FrameEdge {
    const FrameBound *bound;
    bool end;
    const Expr *at;      /* the offset, for messages */
    WindowNumber offset; /* ROWS, GROUPS */
    uint32_t distance; /* RANGE: column of the offset, UINT32_MAX: it is a constant that is right */
    uint32_t key, limit; /* RANGE: columns */
    uint64_t row;        /* RANGE, GROUPS: the bound itself */
    uint64_t group;      /* GROUPS: number of the group that begins at `row` */
} FrameEdge;

typedef struct WindowFrame {
    WindowSource *source;
    const PhysWindow *window;
    const WindowCall *call;
    uint32_t level;
    FrameEdge edges[2];
    bool steady; /* both bounds never go back within a partition */
    uint64_t peer_start, group;
    uint64_t null_start, null_end;              /* RANGE with offsets: rows whose key is NULL */
    uint64_t *peer_starts, *peer_ends, *groups; /* of the piece; NULL where nobody asks */
    uint64_t *start, *end;                      /* the results: rows [start, end), start <= end */
} WindowFrame;

Status window_frame_init(WindowFrame *self, WindowSource *source, const PhysWindow *window,
                         uint32_t level, Error *err) WARN_UNUSED;
/* The frames of the piece's rows; pieces come in order. */
Status window_frame_piece(WindowFrame *self, const WindowPiece *piece, Error *err) WARN_UNUSED;

/* ---- trees of aggregates (window_tree.c) */

/* What the aggregate's file offers to the tree: adds rows to a state, in order. */
typedef struct WindowAggregate WindowAggregate;
Status window_aggregate_add(WindowAggregate *self, uint32_t block, uint64_t from, uint64_t to,
                            uint8_t *state, Arena *arena, Error *err) WARN_UNUSED;

typedef struct WindowTree {
    Block memory;
    Arena *arena;   /* what its states point to */
    uint64_t start; /* of the partition that it is made for */
    uint32_t leaf;  /* rows of a leaf */
    uint32_t nlevels;
    uint64_t count[24]; /* states of each level */
    uint8_t *level[24];
    bool made;
} WindowTree;

/* Frames of fewer rows are added up row by row. */
#define TREE_DIRECT 128
/* What the tree must know of the aggregate. */
typedef struct WindowTreeSpec {
    WindowAggregate *owner;
    WindowSource *source;
    const Aggregate *aggregate;
    const uint8_t *initial;
    uint32_t stride;   /* bytes of a state, aligned */
    Allowance *values; /* which pays for what states point to */
} WindowTreeSpec;
Status window_tree_make(WindowTree *self, const WindowTreeSpec *spec, Error *err) WARN_UNUSED;
void window_tree_clear(WindowTree *self, const WindowTreeSpec *spec);
/* state (as init() makes it) becomes the aggregate of the rows [from, to). */
Status window_tree_query(const WindowTree *self, const WindowTreeSpec *spec, uint64_t from,
                         uint64_t to, uint8_t *state, Arena *arena, Error *err) WARN_UNUSED;

#endif
