/*
 * group.h - row groups: up to GROUP_ROWS rows of a table, a column each, and who sees which of them.
 *
 * Columns are immutable once sealed. What changes are transaction numbers: those of the insertions stand
 * in runs (rows that came together share one), those of the deletions in an array by row that exists
 * once a row was deleted. A number is a commit's, or TX_PENDING with the id of a transaction and the
 * statement in it, or TX_ABORTED. Each row has an id, unique in its table for ever and ascending.
 *
 * A group may be extended (group_extend): the new group shares the memory of the old one, which goes on
 * serving the scans that hold it. Numbers are changed in the newest group only, or in memory that it
 * shares; snapshots that an older group serves cannot see those changes anyway.
 *
 * Threads: any number of readers. Numbers are atomic; they are changed, and groups are made from one
 * another, by the holder of the store's write lock.
 */
#ifndef TRIB_MEMORY_GROUP_H
#define TRIB_MEMORY_GROUP_H

#include "connectors/memory/chunk.h"

/* TX_PENDING | id of the transaction << STATEMENT_BITS | number of the statement */
#define TX_PENDING     (UINT64_C(1) << 63)
#define TX_ABORTED     (TX_PENDING - 1) /* nobody ever sees it */
#define STATEMENT_BITS 24
#define STATEMENT_MOST ((UINT64_C(1) << STATEMENT_BITS) - 1)

/* What a reader sees: commits up to `commit`, and of its own transaction the statements up to own's. */
typedef struct MemSnapshot {
    uint64_t commit;
    uint64_t own; /* TX_PENDING | id | last statement that shows; 0 = none */
} MemSnapshot;

static inline bool number_own(uint64_t number, uint64_t tx) {
    return number & TX_PENDING && (number ^ tx) >> STATEMENT_BITS == 0;
}
static inline bool number_visible(uint64_t number, MemSnapshot snapshot) {
    if (!(number & TX_PENDING)) return number <= snapshot.commit;
    return number_own(number, snapshot.own) && number <= snapshot.own;
}
/* Committed (for whoever holds the write lock). */
static inline bool number_final(uint64_t number) {
    return !(number & TX_PENDING) && number != TX_ABORTED;
}

/* A column of one or more groups (ALTER TABLE makes groups that share columns). */
typedef struct MemColumn {
    _Atomic uint32_t references;
    const TribHost *host;
    _Atomic(uint8_t *) sketch; /* of the values that are not NULL (sketch.h); NULL = not yet */
    Chunk chunk;
} MemColumn;

/* Rows from `start` up to the next run. */
typedef struct InsertRun {
    uint32_t start, reserved;
    _Atomic uint64_t number;
} InsertRun;

typedef struct MemGroup {
    _Atomic uint32_t references;
    const TribHost *host;
    uint32_t rows;
    uint32_t ncolumns;
    bool closed;       /* shares memory with a group that may be extended: must not be, too */
    uint64_t first_id; /* of the first row */
    ChunkBuffer *ids;  /* uint64_t by row; NULL = ascending by one */
    uint32_t nruns;    /* 0 while the group is being filled */
    ChunkBuffer *runs; /* InsertRun */
    _Atomic(ChunkBuffer *) deletes; /* _Atomic uint64_t by row, 0 = alive; NULL = all are */
    uint64_t bytes;
    MemColumn *columns[];
} MemGroup;

static inline const Chunk *group_chunk(const MemGroup *self, uint32_t column) {
    return &self->columns[column]->chunk;
}

/* An empty group, to be filled by one writer. */
Status group_new(const TribHost *host, const TribColumn *columns, uint32_t ncolumns, MemGroup **out,
                 Error *err) WARN_UNUSED;
void group_retain(MemGroup *self);
void group_release(MemGroup *self); /* NULL is allowed */
/* Appends rows [from, from + count) of a struct array whose children are the group's columns. */
Status group_append(MemGroup *self, const struct ArrowArray *array, uint32_t from, uint32_t count,
                    Error *err) WARN_UNUSED;
/* Appends rows of a sealed group: all columns, or one of it to one of self (whose row count stays). */
Status group_copy(MemGroup *self, const MemGroup *from, uint32_t first, uint32_t count,
                  Error *err) WARN_UNUSED;
Status group_copy_column(MemGroup *self, uint32_t column, const MemGroup *from, uint32_t source,
                         uint32_t first, uint32_t count, Error *err) WARN_UNUSED;
/* Ranges, buffers; sketched: sketches at once, and no unused memory (groups that are full). */
Status group_seal(MemGroup *self, bool full, Error *err) WARN_UNUSED;
/* All rows belong to one number, and their ids ascend from first_id. */
Status group_number(MemGroup *self, uint64_t first_id, uint64_t number, Error *err) WARN_UNUSED;
/*
 * `tail` with the rows of the sealed group `more` behind, inserted by `number`, in the tail's memory. Runs
 * that all snapshots from `oldest` on see become one.
 */
Status group_extend(const MemGroup *tail, const MemGroup *more, uint64_t number, uint64_t oldest,
                    MemGroup **out, Error *err) WARN_UNUSED;
/* Groups of at most GROUP_ROWS with the rows of `from` that somebody may still see. */
Status group_gather(const TribHost *host, const TribColumn *columns, MemGroup *const *from,
                    uint32_t count, uint64_t oldest, MemGroup **out, uint32_t *nout,
                    Error *err) WARN_UNUSED;
/*
 * The rows of `self` for another list of columns: source[i] is a column of self, or UINT32_MAX for a new one
 * that has `value` in every row. Numbers are copied.
 */
Status group_derive(const MemGroup *self, const TribColumn *columns, uint32_t ncolumns,
                    const uint32_t *source, const TribValue *value, MemGroup **out,
                    Error *err) WARN_UNUSED;

/* By row. */
uint64_t group_id(const MemGroup *self, uint32_t row);
bool group_find(const MemGroup *self, uint64_t id, uint32_t *row);
_Atomic uint64_t *group_insert_number(const MemGroup *self, uint32_t row);
/* Of rows [from, from + count), whose runs begin and end there or have the same number. */
void group_set_inserted(MemGroup *self, uint32_t from, uint32_t count, uint64_t number);
uint64_t group_delete_number(const MemGroup *self, uint32_t row);
/* Makes room for deletions. */
Status group_deletable(MemGroup *self, Error *err) WARN_UNUSED;
_Atomic uint64_t *group_delete_place(const MemGroup *self, uint32_t row);
/* Nobody whose snapshot is `oldest` or newer sees the row. */
bool group_row_dead(const MemGroup *self, uint32_t row, uint64_t oldest);

bool group_any_visible(const MemGroup *self, MemSnapshot snapshot);
/* All rows, and none is deleted. */
bool group_all_visible(const MemGroup *self, MemSnapshot snapshot);
/* The visible rows among [from, from + count), relative to `from`; returns how many. */
uint32_t group_select(const MemGroup *self, MemSnapshot snapshot, uint32_t from, uint32_t count,
                      uint16_t *selection);

/* The sketch of a column, made when it is first asked for; NULL: nested, or no memory. */
const uint8_t *column_sketch(MemColumn *self);

#endif
