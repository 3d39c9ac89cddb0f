/*
 * physical.h - the physical plan: which operators run, over ordinals of their input batches.
 *
 * Read-only once built; run-time state mirrors it (runtime/query). A node's columns are addressed by
 * position; expressions are lowered (Expr COLUMN holds an ordinal).
 */
#ifndef TRIB_PLAN_PHYSICAL_H
#define TRIB_PLAN_PHYSICAL_H

#include "engine/plan/logical.h"

typedef enum PhysKind {
    PHYS_SCAN,
    PHYS_VALUES,
    PHYS_SETS,
    PHYS_FILTER,
    PHYS_PROJECT,
    PHYS_HASH_JOIN,
    PHYS_AGGREGATE,
    PHYS_SORT,
    PHYS_TOPN,
    PHYS_LIMIT,
    PHYS_UNION,
    PHYS_SINGLE_ROW,
    PHYS_EXPAND,
    PHYS_WRITE,
    PHYS_MERGE,
    PHYS_RESULT,
    PHYS_VERIFY,
    PHYS_REPEAT,
    PHYS_SAMPLE,
    PHYS_TIES, /* as.sort */
    PHYS_UNNEST,
    PHYS_SHARED, /* root of a shared plan: keeps the rows of its child */
    PHYS_SHARED_READ,
    PHYS_RECURSIVE,
    PHYS_WORKING,
    PHYS_WINDOW,
    PHYS_KIND_COUNT
} PhysKind;

typedef struct PhysNode PhysNode;

typedef struct PhysSortKey {
    uint32_t ordinal;
    bool descending, nulls_first;
} PhysSortKey;

typedef struct PhysAggregate {
    const Aggregate *aggregate;
    uint32_t nargs;
    Expr *const *args; /* lowered */
    Expr *filter;      /* lowered boolean; NULL = none */
    Type result;
    uint32_t line, column; /* of the call in the SQL text; 0 = none */
} PhysAggregate;

/* One window function: arguments are columns of the input, or constants. */
typedef struct PhysWindow {
    const WindowCall *call;
    uint32_t nargs;
    Expr *const *args; /* lowered; indexed as the call says */
    Type result;
    uint32_t line, column; /* of the call in the SQL text; 0 = none */
} PhysWindow;

/* A runtime filter: the join's key `key` restricts output column `output` of the scan. */
typedef struct PhysFilterTarget {
    PhysNode *scan;
    uint32_t key;
    uint32_t output;
} PhysFilterTarget;

/* Joins whose runtime filters a scan waits for although a breaker stands between. */
typedef struct PhysWait {
    const PhysNode *join;
    const struct PhysWait *next;
} PhysWait;

struct PhysNode {
    PhysKind kind;
    uint32_t id; /* dense, for counters of EXPLAIN ANALYZE */
    uint32_t ncolumns;
    Type *types;
    const char **names; /* for EXPLAIN */
    uint32_t nchildren;
    PhysNode **children;
    double rows;           /* estimate, < 0 unknown */
    uint32_t line, column; /* in the SQL text; 0 = none */
    union {
        struct {
            SourcePlan *plan;
            const TableRef *table;
            const PushedScan *pushed;
            int64_t limit;     /* stop after so many rows; < 0 none */
            bool for_update;   /* the rows will be changed by their key */
            uint32_t nfilters; /* runtime filters that will arrive */
            uint32_t nawaited; /* of them, that are worth waiting for: no prefetch */
            const PhysWait *waits;
        } scan;
        struct {
            uint32_t nrows;
            Expr ***rows;
        } values;
        const ParameterSets *sets; /* of the execution that is under way */
        struct {
            uint32_t nconjuncts; /* those that cannot raise first */
            Expr **conjuncts;
        } filter;
        struct {
            Expr **exprs;
        } project;
        struct {
            /* children: probe, build. Output: probe_output, then build_output, then the mark. */
            JoinKind join;  /* as seen from the probe side; RIGHT, FULL keep build rows */
            uint32_t nkeys; /* 0: every pair of rows (cross, inequality joins) */
            Expr **probe_keys, **build_keys; /* equal types pairwise, hashable */
            uint64_t null_safe;              /* bit k: NULL matches NULL (IS NOT DISTINCT FROM) */
            uint64_t
                null_aware; /* ANTI_NULLS, MARK: bit k: a comparison of IN, unknown when NULL; other keys and
                                    the residual are conditions of the sub-query, which must be true */
            Expr *residual; /* over probe columns then build columns; NULL = none */
            uint32_t nprobe_output, nbuild_output;
            uint32_t *probe_output, *build_output;
            uint32_t ntargets;
            PhysFilterTarget *targets;
            /* scans below a breaker whose source takes no filter: the rows are dropped when they are read */
            uint32_t npassed;
            PhysFilterTarget *passed;
            double build_rows;
        } join;
        struct {
            uint32_t ngroups;
            Expr **groups;
            uint32_t naggregates;
            PhysAggregate *aggregates;
            uint32_t nempty;    /* rows that there are for an input without rows */
            Expr ***empty_rows; /* [nempty][ngroups] constants */
        } aggregate;
        struct {
            uint32_t nkeys;
            PhysSortKey *keys;
            int64_t limit, offset; /* TOPN, TIES */
            bool ties;             /* TOPN: and all rows that are equal to the last one */
        } sort;
        struct {
            uint32_t npartition; /* of the keys, the first so many */
            uint32_t nkeys;
            PhysSortKey *keys;
            uint32_t npass; /* output: these columns of the input, then the functions */
            uint32_t *pass;
            uint32_t nwindows;
            PhysWindow *windows;
            uint32_t keep; /* rows of a partition that are wanted, counted by keep_by; 0 = all */
            uint16_t keep_by;
        } window;
        struct {
            int64_t limit, offset; /* limit < 0 = all */
        } limit;
        struct {
            bool sequential; /* a child is read after the one before it has been read to its end */
        } all;
        struct {
            uint32_t nsets;
            Expr ***sets; /* [nsets][ncolumns] */
        } expand;
        struct {
            uint32_t count;    /* ordinal of the column that says how often */
            uint32_t *columns; /* [ncolumns] ordinals */
        } repeat;
        struct {
            bool system;
            double percent; /* 0 .. 100 */
        } sample;
        struct {
            uint32_t nargs;
            Expr **args;
            uint32_t nkept;
            uint32_t *kept; /* ordinals of the input */
            UnnestColumn *columns;
            bool keep_empty;
        } unnest;
        struct {
            const PhysNode *from; /* SHARED */
            bool first;           /* EXPLAIN shows the shared plan below this one */
        } read;
        struct {
            /* child: the first part, its columns in this node's order */
            struct PhysicalPlan *step; /* likewise; run once per step */
            bool distinct;             /* op_working wants all rows so far too */
        } recursive;
        struct {
            const PhysNode *recursion;
            bool seen; /* all rows so far, not those of the last step */
        } working;
        struct {
            Catalog *catalog;
            TribWriteRequest request;
            bool buffered; /* rows come from the same source and are read to the end first */
        } write;
        struct {
            /* child: the clause's number, the number among those of one row, then what `merge` says */
            Catalog *catalog;
            uint32_t nactions;
            const MergeAction *actions;
            TribWriteRequest *requests; /* [nactions] */
            PhysNode **shapes;          /* [nactions] the rows of each: columns as in its request */
        } merge;
        struct {
            /* child: the sides, the last column says which: integer 0 = the source's answer, 1 = the same
             * computed here, 2 = the same without its limit, read after the others (only if `contained`) */
            bool contained;
            uint32_t nkeys; /* columns that must agree; 0: only the number of rows */
            uint32_t *keys;
            const char *catalog, *text; /* for the message; text may be NULL */
        } verify;
    } as;
};

typedef struct PhysicalPlan {
    Arena *arena;
    PhysNode *root; /* RESULT, WRITE or MERGE */
    uint32_t nnodes;
    PhysNode **nodes; /* each after its children; those of a step's plan are not among them */
    uint32_t nshared;
    PhysNode **shared; /* SHARED, each after those that it reads */
    uint32_t nids;     /* ids are below this: those of all plans together */
} PhysicalPlan;

/* Does the node store rows, and put out none? */
static inline bool phys_writes(const PhysNode *node) {
    return node->kind == PHYS_WRITE || node->kind == PHYS_MERGE;
}

/* Does the plan, or a step of a recursive query in it, scan this source? */
bool physical_reads(const PhysicalPlan *plan, const Source *source);

/* Logical to physical: ordinals, join sides, keys and residuals, top-N. Parameters must be constants. */
Status physical_lower(Arena *arena, const LogicalPlan *plan, const EvalSession *session,
                      bool runtime_filters, PhysicalPlan **out, Error *err) WARN_UNUSED;

/* Counters of one node, filled in at run time; NULL array = plain EXPLAIN. */
typedef struct NodeCounters {
    _Atomic uint64_t rows, batches, bytes, spilled_bytes;
    _Atomic int64_t busy_ns, memory_peak;
    ScanCounters scan;
    char note[160];
} NodeCounters;
/* The same as one JSON document. */
void physical_print_json(Buf *out, const PhysicalPlan *plan, const NodeCounters *counters);
void physical_print(Buf *out, const PhysicalPlan *plan, const NodeCounters *counters);

#endif
