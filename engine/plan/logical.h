/*
 * logical.h - the logical plan: what is to be computed, as a tree of relational operators.
 *
 * Columns have plan-wide ids (ColumnId, from 1) described in PlanColumns; a node lists the ids that it
 * puts out. Expressions refer to ids, so that rules move nodes without renumbering. Nodes live in the
 * plan's arena and are never changed once a rule has returned: a rule builds new nodes where it differs.
 */
#ifndef TRIB_PLAN_LOGICAL_H
#define TRIB_PLAN_LOGICAL_H

#include "engine/base/map.h"
#include "engine/catalog/catalog.h"
#include "engine/expr/expr.h"

typedef struct PlanColumn {
    Str name;
    Type type;
    bool nullable;
    const TableRef *table; /* where it comes from unchanged; NULL = computed */
    uint32_t table_column;
} PlanColumn;

typedef struct PlanColumns {
    Arena *arena;
    uint32_t count, capacity; /* ids 1 .. count */
    PlanColumn *columns;      /* [id] */
} PlanColumns;

/* A new id; 0 when memory is exhausted. */
ColumnId plan_column_new(PlanColumns *self, Str name, Type type, bool nullable);
const PlanColumn *plan_column(const PlanColumns *self, ColumnId id);

typedef enum LogicalKind {
    LOGICAL_SCAN,      /* a table: output[i] = its column scan.columns[i] */
    LOGICAL_VALUES,    /* rows of constant expressions */
    LOGICAL_SETS,      /* a row per set of parameters: output[i] = parameter i */
    LOGICAL_FILTER,    /* conjuncts, in written order */
    LOGICAL_PROJECT,   /* output[i] = exprs[i] */
    LOGICAL_JOIN,      /* children: left, right; condition conjuncts */
    LOGICAL_AGGREGATE, /* output = groups then aggregates; groups[i] are columns or expressions */
    LOGICAL_SORT,
    LOGICAL_LIMIT,      /* offset, limit */
    LOGICAL_TOPN,       /* sort keys, offset, limit */
    LOGICAL_UNION,      /* all; inputs[c][i] = child c's column for output[i] */
    LOGICAL_SINGLE_ROW, /* at most one row, else 21000; none = one row of NULLs */
    LOGICAL_EXPAND,     /* each row `nsets` times: sets[s][i] = expression of output[i] */
    LOGICAL_WINDOW,    /* output = the child's (or some of it), then a column per window function */
    LOGICAL_UNNEST,    /* each row once per element of arrays and maps */
    LOGICAL_SAMPLE,    /* a share of the rows: limit = percentage */
    LOGICAL_SETOP,     /* intersect, except [all]; inputs as UNION: removed by expand_setops */
    LOGICAL_RECURSIVE, /* children: first part, step; inputs as UNION */
    LOGICAL_WRITE,     /* rows of the child into a table */
    LOGICAL_VERIFY, /* child: UNION of the pushed fragment and the local one, last column = side */
    LOGICAL_REPEAT, /* each row as often as its column `mark` says */
    /* One use of a WITH query, over its plan, or without a child: output[i] = column
     * ids[table_columns[i]] of the plan's `ctes` entry that `shared` names. Removed by share_ctes,
     * inline_ctes. */
    LOGICAL_CTE,
    LOGICAL_SHARED,  /* reads a shared plan: output[i] = its column ids[table_columns[i]] */
    LOGICAL_WORKING, /* what a step of a RECURSIVE reads: output[i] = its column table_columns[i] */
    LOGICAL_TIES,    /* over SORT: offset, limit, and what is equal to the last one by the keys */
} LogicalKind;

typedef enum LogicalSet { SET_INTERSECT, SET_EXCEPT } LogicalSet;

typedef enum JoinKind {
    JOIN_INNER,
    JOIN_LEFT,
    JOIN_RIGHT,
    JOIN_FULL,
    JOIN_CROSS,
    JOIN_SEMI,       /* left rows with a match; output = left's */
    JOIN_ANTI,       /* left rows without a match (NOT EXISTS) */
    JOIN_ANTI_NULLS, /* NOT IN: NULL-aware */
    JOIN_MARK,       /* left rows plus one boolean: true, false, or NULL as IN gives it */
    /* Physical plans only: SEMI and ANTI whose kept side is built. */
    JOIN_RIGHT_SEMI,
    JOIN_RIGHT_ANTI
} JoinKind;

typedef struct SortKey {
    Expr *expr; /* logical: usually a column */
    bool descending, nulls_first;
} SortKey;

/* One offered conjunct and what became of it. */
typedef struct PushedConjunct {
    const Expr *expr;
    TribVerdict verdict;
} PushedConjunct;

/* What a scan's source was asked and answered: EXPLAIN (TYPE REMOTE) prints it. */
typedef struct PushedScan {
    SourcePlan *plan; /* registered for release on the plan's arena */
    const char *text, *note;
    uint32_t nconjuncts;
    PushedConjunct *conjuncts;
    uint32_t taken; /* TRIB_TAKEN_* */
    TribVerdict joins, grouping, order, limit;
    bool offered_order, offered_limit, offered_grouping;
    int64_t limit_rows; /* of the limit offered */
    const char *how;    /* how the name was read */
    TribVerdict *keys;  /* [noutput]: may a runtime filter on that column be sent? */
    double rows;        /* the source's estimate, < 0 unknown */
} PushedScan;

/* A column of UNNEST: a field of the elements of an argument (0 if they have none); argument nunnest: the
 * element's number. */
typedef struct UnnestColumn {
    uint32_t arg, field;
} UnnestColumn;

/* What one clause of a MERGE does with its rows: an INSERT, UPDATE or DELETE of columns of the table, which
 * stand at `places` of the rows. */
typedef struct MergeAction {
    TribWriteKind kind;
    uint32_t nkeys; /* of the columns, the first so many are the row key */
    uint32_t ncolumns;
    uint32_t *columns, *places;
} MergeAction;
/* A MERGE's rows begin with the clause's number (integer) and the number among those of one target row. */
#define MERGE_FIRST 2

typedef struct LogicalNode LogicalNode;

/* A plan that is computed once and read by several SHARED leaves. */
typedef struct SharedPlan {
    uint32_t id; /* from 1 */
    LogicalNode *root;
    uint32_t ncolumns;
    ColumnId *ids; /* what leaves may ask for; root puts out those that are asked for */
} SharedPlan;

/* Fields beyond the common ones belong to the kinds named above them. */
struct LogicalNode {
    LogicalKind kind;
    uint32_t noutput;
    ColumnId *output;
    uint32_t nchildren;
    LogicalNode **children;
    double rows;           /* estimate, < 0 = not yet estimated */
    uint32_t line, column; /* in the SQL text; 0 = none */

    /* SCAN */
    TableRef *table;         /* registered for release on the plan's arena */
    uint32_t *table_columns; /* [noutput] indexes into the table's columns */
    PushedScan *pushed;      /* NULL until push-down */
    const char *how;         /* how the table's name was read, for EXPLAIN; NULL = as written */
    bool for_update;         /* the target of an UPDATE, DELETE or MERGE */
    /* VALUES */
    uint32_t nrows;
    Expr ***value_rows; /* [nrows][noutput] */
    /* SETS */
    const ParameterSets *sets_of; /* read when the plan runs */
    /* FILTER, JOIN */
    uint32_t nconjuncts;
    Expr **conjuncts;
    /* JOIN */
    JoinKind join;
    bool lateral;  /* the right side may use columns of the left one as EXPR_OUTER */
    ColumnId mark; /* MARK: the boolean's id (last of output). REPEAT: the count's, not of output */
    uint32_t
        nin; /* ANTI_NULLS, MARK: the first nin conjuncts are IN's comparisons, left = right, unknown
                                 when NULL; the others are conditions of the sub-query. 0: EXISTS, never unknown */
    /* PROJECT: exprs[noutput]. AGGREGATE: groups, aggregates */
    Expr **exprs;
    uint32_t ngroups; /* output[0..ngroups) */
    Expr **groups;
    uint32_t naggregates; /* output[ngroups..) */
    Expr **aggregates;    /* EXPR_AGGREGATE */
    uint32_t nempty;      /* AGGREGATE with groups: rows that there are for an input without rows */
    Expr ***empty_rows;   /* [nempty][ngroups] constants */
    /* SORT, TOPN, TIES; WINDOW: the keys of PARTITION BY, then those of ORDER BY */
    uint32_t nkeys;
    SortKey *keys;
    /* WINDOW: output[noutput - nwindows ..) */
    uint32_t npartition;
    uint32_t nwindows;
    Expr **windows; /* EXPR_WINDOW over columns; counts may be constants */
    uint32_t
        keep; /* only so many rows of a partition are wanted, counted by the function keep_by; 0 = all */
    uint16_t keep_by; /* TRIB_FN_row_number, _rank, _dense_rank */
    /* LIMIT, TOPN, TIES: constants or parameters (bigint); NULL = none. SAMPLE: limit = percentage (double) */
    Expr *limit, *offset;
    bool system; /* SAMPLE: by pieces, not by rows */
    /* SETOP */
    LogicalSet set;
    bool all;
    const void *cte;    /* CTE: equal for uses of the same query */
    SharedPlan *shared; /* SHARED; CTE without a child: by its id */
    /* RECURSIVE, WORKING */
    uint32_t recursion; /* which one; unique in the plan */
    bool distinct; /* RECURSIVE: UNION without ALL. WORKING: all rows so far, not the last step's */
    /* UNION, SETOP, RECURSIVE: inputs[child][i]; EXPAND: sets[s][i] */
    ColumnId **inputs;
    bool sequential; /* UNION: a child is read after the one before it has been read to its end */
    uint32_t nsets;
    Expr ***sets;
    /* UNNEST: output[0 .. nkept) are columns of the child, the others what `unnested` says. keep_empty: a row
     * without elements stays, with NULL for them. */
    uint32_t nunnest, nkept;
    Expr **unnest; /* [nunnest] arrays and maps */
    UnnestColumn *unnested;
    bool keep_empty;
    /* VERIFY: columns that must agree, as positions of output; none: the number of rows only. With a third
     * side (the piece without its limit) the source's rows must all be among its rows. */
    uint32_t nverify;
    uint32_t *verify;
    const PushedScan *verified;
    /* WRITE */
    TribWriteKind write;
    uint32_t
        nwrite_keys; /* UPDATE, DELETE: the first columns are the row key; 0: the table has none */
    TribModify
        *modify; /* UPDATE, DELETE that the source does alone: what it is asked; no child is run */
    const char *modify_text, *modify_reason; /* what it sends, or why it cannot; NULL = not asked */
    uint32_t nwrite_columns;
    uint32_t *write_columns;
    bool if_not_exists;
    const char *write_schema, *write_name; /* CREATE: target */
    Catalog *write_catalog;
    TribTable *write_table; /* CREATE: definition */
    uint32_t nmerge;        /* MERGE: `merge` says what is written, not `write` */
    const MergeAction *merge;
};

/* A whole bound query. */
typedef struct LogicalPlan {
    Arena *arena;
    PlanColumns columns;
    LogicalNode *root;
    uint32_t nlabels; /* == root->noutput for queries */
    Str *labels;
    uint32_t nparameters;
    Type *parameter_types;
    bool *parameter_inferred;
    uint32_t nshared; /* of optimised plans */
    SharedPlan **shared;
    /* WITH queries, each after those that it uses; ctes[i]->id = i + 1; NULL entries are done with. */
    uint32_t nctes;
    SharedPlan **ctes;
} LogicalPlan;

/* Allocates a node with its output array (ids 0) and children array. NULL when exhausted. */
LogicalNode *logical_new(Arena *arena, LogicalKind kind, uint32_t noutput, uint32_t nchildren);
/* A shallow copy, to be changed by a rule before it publishes it. */
LogicalNode *logical_copy(Arena *arena, const LogicalNode *node);
/* Indexes of the shared plans that are read, each after those that it reads; NULL when exhausted. */
uint32_t *logical_shared_order(Arena *arena, const LogicalPlan *plan, uint32_t *count);
/* Is the column one of the node's output? */
bool logical_has_output(const LogicalNode *node, ColumnId id);
/* A copy of the node in which each of its expressions is mapped (the node itself if none changed). */
typedef Status (*PlanExprMap)(void *context, Expr *e, Expr **out);
Status logical_map_exprs(Arena *arena, LogicalNode *node, PlanExprMap map, void *context,
                         LogicalNode **out, Error *err) WARN_UNUSED;
/* A copy of the whole plan with columns of its own; *map gives, by id, a column's copy (0: not of this
 * plan). Columns of enclosing queries stay. */
Status logical_clone(Arena *arena, PlanColumns *columns, const LogicalNode *node, ColumnId **map,
                     LogicalNode **out, Error *err) WARN_UNUSED;
/* The same many times: the map is kept, and only what a copy wrote is cleared before the next one. */
typedef struct CloneMap {
    uint32_t capacity;
    ColumnId *map; /* by id */
    uint32_t nset, set_capacity;
    ColumnId *set; /* ids that have an entry */
} CloneMap;
Status logical_clone_again(Arena *arena, PlanColumns *columns, const LogicalNode *node,
                           CloneMap *map, LogicalNode **out, Error *err) WARN_UNUSED;
/* Text for EXPLAIN (TYPE LOGICAL): a line per node, indented. */
void logical_print(Buf *out, const LogicalPlan *plan);
/* The same as one JSON document (docs/statements.md has the shape). */
void logical_print_json(Buf *out, const LogicalPlan *plan);
void remote_print_json(Buf *out, const LogicalPlan *plan);
/* EXPLAIN (TYPE IO, FORMAT JSON): the tables that are read, with estimates. */
void io_print_json(Buf *out, const LogicalPlan *plan);
/* Text for EXPLAIN (TYPE REMOTE): a block per source. */
void remote_print(Buf *out, const LogicalPlan *plan);

#endif
