/*
 * aggregate.h - the inside of op_aggregate, shared by its sink (op_aggregate.c), its source
 * (aggregate_merge.c) and what both do with states (aggregate_state.c).
 */
#ifndef TRIB_EXEC_AGGREGATE_H
#define TRIB_EXEC_AGGREGATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/exec/hash_table.h"
#include "engine/exec/operator.h"

#define NO_EXPR UINT32_MAX

/* One aggregate function of the list, and where its state lies. */
typedef struct AggState {
    const Aggregate *aggregate;
    Type result;
    uint32_t offset; /* within the states */
    uint32_t nargs;
    const uint32_t *args; /* indexes of the evaluator's expressions */
    const Type *types;    /* of the arguments */
    uint32_t filter;      /* likewise, or NO_EXPR */
    const PhysAggregate *call;
} AggState;

/* Errors of a state are errors of the call that it belongs to. */
static inline Status agg_place(const AggState *state, Status status, Error *err) {
    return error_place(err, status, state->call->line, state->call->column);
}

typedef struct AggWorker AggWorker;

/* The rows of one partition (or part of one), still to be merged. */
typedef struct AggJob {
    PageList pages;  /* layout: keys and states */
    PageList packed; /* layout `packed`: keys and serialised states */
    uint32_t unlike; /* the first so many pages: in memory, no two rows of one group */
    uint32_t top;    /* bits of the hash below this one have not been used for partitioning */
} AggJob;

typedef struct AggShared {
    const PhysNode *node;
    Query *query;
    Grant grant;
    RowSpace space;
    uint32_t ngroups, nstates, nexprs;
    const Expr **exprs; /* of the evaluators: groups, then arguments and filters */
    AggState *states;
    RowLayout *layout; /* keys, states in the tail; hash in front */
    /* keys, one varbinary of all states: NULL if states may be written as they are */
    RowLayout *packed;
    uint32_t states_bytes;
    uint8_t *initial;      /* states as init() makes them */
    uint32_t bits;         /* of the first partitioning */
    _Atomic uint32_t kept; /* partitions below this one are kept in memory as long as possible */

    pthread_mutex_t lock; /* guards what follows */
    bool lock_made;
    AggWorker *workers;
    bool *may_null;  /* by key */
    uint8_t *single; /* no groups: the one state */
    Arena *single_arena;
    bool single_done;
    bool no_input; /* set by finish: rows of node->empty_rows are due */
    bool distinct; /* no group stands in two rows: nothing to merge */
    AggJob *jobs;  /* a stack */
    uint32_t njobs, jobs_capacity;
    SpillFile *files; /* of split partitions, until the end */
} AggShared;

/* ---- states (aggregate_state.c) */

static inline bool agg_states_raw(const AggShared *self) {
    return self->packed == NULL;
}
/* Copies the initial states behind each row's keys. */
void agg_states_init(const AggShared *self, uint8_t *const *rows, uint32_t count);
/* into[i] += from[i]: rows of the layout. */
Status agg_states_combine(const AggShared *self, uint8_t *const *into, uint8_t *const *from,
                          uint32_t count, Arena *arena, Error *err) WARN_UNUSED;
/* The states of each row as one string of bytes in the arena. */
Status agg_states_pack(const AggShared *self, uint8_t *const *rows, uint32_t count, Arena *arena,
                       StrView *out, Error *err) WARN_UNUSED;
/* Fills in rows[i]'s states, which are overwritten, from such bytes. */
Status agg_states_unpack(const AggShared *self, const StrView *packed, uint32_t count,
                         uint8_t *const *rows, Arena *arena, Error *err) WARN_UNUSED;
/* Appends rows with their states packed to a store of the packed layout. */
typedef struct AggPacker {
    ColumnRoom *rooms;   /* of the keys */
    FlatColumn *columns; /* keys, then the packed states */
    uint64_t *hashes;
    uint8_t **rows; /* where they went */
    const uint16_t *identity;
    Arena *arena; /* emptied with each call */
} AggPacker;
Status agg_packer_new(const AggShared *self, const uint16_t *identity, Arena *arena, AggPacker *out,
                      Error *err) WARN_UNUSED;
Status agg_pack_rows(AggPacker *self, const AggShared *shared, uint8_t *const *rows, uint32_t count,
                     RowStore *store, Error *err) WARN_UNUSED;

/* ---- what the sink leaves to the source */

/* Moves the workers' pages into jobs; called once when all have combined. */
Status agg_jobs_make(AggShared *self, Error *err) WARN_UNUSED;
Status agg_job_push(AggShared *self, AggJob *job, Error *err) WARN_UNUSED; /* takes its pages */
/* Takes the file (may be NULL), to be freed with the aggregation. */
void agg_file_keep(AggShared *self, SpillFile *file);

/* ---- the source (aggregate_merge.c) */
typedef struct AggSource AggSource;
Status agg_source_produce(OpContext *context, AggSource **self, Batch *out, Step *step,
                          Error *err) WARN_UNUSED;
void agg_source_free(AggSource *self);

/* A state area of its own, for aggregation without groups: the offset of states within it is 0. */
Status agg_result_column(const AggState *state, uint8_t *const *rows, uint32_t offset,
                         uint32_t count, ColumnRoom *room, Arena *arena, Vector *out,
                         Error *err) WARN_UNUSED;

#endif
