/*
 * expr.h - bound expressions: a typed tree, read-only once built, shared freely.
 *
 * Before lowering, COLUMN refers to a plan-wide ColumnId; after lowering to the ordinal of the input
 * batch (expr_lower). Every node knows its type and whether evaluating it can raise a data error.
 */
#ifndef TRIB_EXPR_EXPR_H
#define TRIB_EXPR_EXPR_H

#include "engine/functions/function.h"

typedef uint32_t ColumnId; /* unique within a plan, from 1 */

typedef enum ExprKind {
    EXPR_COLUMN,    /* column */
    EXPR_CONSTANT,  /* value */
    EXPR_PARAMETER, /* slot: replaced by a constant at execution */
    EXPR_CALL,      /* function(args) */
    EXPR_CAST,      /* args[0] to type; try: NULL instead of an error */
    EXPR_AND,       /* args, flattened */
    EXPR_OR,
    EXPR_NOT,
    EXPR_IS_NULL, /* args[0]; negated: IS NOT NULL */
    EXPR_CASE,    /* when, then, when, then ..., else (always there) */
    EXPR_COALESCE,
    EXPR_NULLIF, /* args[0], args[1], equality in args[2] (call eq on coerced copies) */
    EXPR_IN,     /* args[0] in args[1..]; negated; constants become a hash set */
    EXPR_TRY,
    EXPR_AGGREGATE, /* aggregate(args) filter: only below an AGGREGATE node's list */
    EXPR_WINDOW,    /* function(..) OVER (..): only below a WINDOW node's list */
    EXPR_LAMBDA, /* only an argument of a call: type FUNCTION (parameters, result), body = args[0] */
    EXPR_SUBQUERY, /* scalar, IN, EXISTS, quantified: removed by the optimiser */
    EXPR_OUTER,    /* a column of an enclosing query: removed by decorrelation */
    EXPR_GROUPING, /* GROUPING(args): replaced by the binder */
    EXPR_VARIABLE, /* a parameter of a lambda around it: as.variable */
} ExprKind;

typedef enum SubqueryKind {
    SUBQUERY_SCALAR,
    SUBQUERY_EXISTS,
    SUBQUERY_IN,
    SUBQUERY_ANY,
    SUBQUERY_ALL
} SubqueryKind;

typedef enum FrameUnit { FRAME_ROWS, FRAME_RANGE, FRAME_GROUPS } FrameUnit;
typedef enum FrameBoundKind {
    BOUND_UNBOUNDED_PRECEDING,
    BOUND_PRECEDING,
    BOUND_CURRENT,
    BOUND_FOLLOWING,
    BOUND_UNBOUNDED_FOLLOWING
} FrameBoundKind;

#define NO_ARG UINT32_MAX

/* One end of a frame; indexes are of the node's args, NO_ARG where there is none. */
typedef struct FrameBound {
    uint8_t kind;    /* FrameBoundKind */
    uint32_t offset; /* how far: rows or groups (bigint), RANGE: a distance of the sort key */
    /* RANGE: the sort key in the type in which it is compared, and with what: the key -+ the offset */
    uint32_t key, limit;
} FrameBound;

typedef struct WindowOrder {
    bool descending, nulls_first;
} WindowOrder;

/* What a WINDOW node's args mean: the call's arguments come first. */
typedef struct WindowCall {
    const WindowFunction *function; /* NULL: the aggregate */
    const Aggregate *aggregate;
    bool ignore_nulls;
    uint32_t ncall;
    uint32_t filter; /* the condition's index, or NO_ARG */
    uint32_t partition, npartition;
    uint32_t order, norder;
    const WindowOrder *directions; /* [norder] */
    uint8_t unit;                  /* FrameUnit */
    FrameBound start, end;
} WindowCall;

typedef struct Expr Expr;
struct Expr {
    uint8_t kind;     /* ExprKind */
    bool may_raise;   /* this node or one below */
    bool is_volatile; /* this node or one below */
    bool negated;     /* IN, IS_NULL, SUBQUERY_EXISTS/IN */
    bool try_cast;    /* CAST */
    bool distinct;    /* AGGREGATE */
    uint8_t subquery_kind;
    uint16_t comparison; /* SUBQUERY_ANY/ALL: TRIB_FN_eq ... */
    Type type;
    uint32_t nargs;
    Expr *const *args;
    uint32_t size;         /* nodes below and including this one, saturating */
    uint32_t line, column; /* in the SQL text, for messages; 0 = none */
    union {
        ColumnId column_id;
        uint32_t ordinal; /* after lowering */
        uint32_t slot;
        Value value;
        const Function *function;
        struct {
            const Aggregate *aggregate;
            Expr *filter; /* NULL = none */
        } agg;
        struct {
            struct LogicalNode *plan; /* SUBQUERY */
            uint32_t field;           /* SCALAR: which of the plan's columns is the value */
            /* the query as written, for equality; NULL: equal to itself only */
            const char *text;
        };
        /* VARIABLE: parameter `index` of the lambda `depth` lambdas further out than the innermost. */
        struct {
            uint16_t depth, index;
            const char *name; /* as written */
        } variable;
        const char *const *names; /* LAMBDA: of its parameters */
        const WindowCall *window;
    } as;
};

Expr *expr_column(Arena *arena, ColumnId id, Type type);
Expr *expr_outer(Arena *arena, ColumnId id, Type type); /* a column of an enclosing query */
Expr *expr_constant(Arena *arena, Value value);         /* the value's bytes are borrowed */
Expr *expr_call(Arena *arena, const ResolvedFunction *f, uint32_t nargs,
                Expr *const *args); /* args already coerced */
Expr *expr_cast(Arena *arena, Expr *arg, Type type,
                bool try_cast); /* the same expression if the type is equal */
Expr *expr_boolean(Arena *arena, ExprKind kind, uint32_t nargs,
                   Expr *const *args); /* AND, OR, NOT */
Expr *expr_new(Arena *arena, ExprKind kind, Type type, uint32_t nargs, Expr *const *args);

/* Sets may_raise and is_volatile from the node and its arguments: after args, type, flags or `as` of a node
 * were set by hand. */
void expr_derive(Expr *e);
/* Can a call or cast fail on arguments that did not fail? */
bool expr_raises_itself(const Expr *e);
bool expr_equal(const Expr *a, const Expr *b);
/* Is there a node of the kind, this one or below? */
bool expr_has_kind(const Expr *e, ExprKind kind);
/* Is it nested no deeper than this? */
bool expr_within(const Expr *e, uint32_t depth);
bool expr_is_constant(const Expr *e);
/* Adds the ColumnIds used (once each) to a bitmap indexed by ColumnId. */
void expr_columns(const Expr *e, uint64_t *bits);
/* Does test() hold for the node or one below it (not: in the plans of sub-queries)? */
bool expr_any(const Expr *e, bool (*test)(void *context, const Expr *e), void *context);
/* A copy in which replace() may substitute nodes (NULL = keep, descend). */
Status expr_rewrite(Arena *arena, const Expr *e, Expr *(*replace)(void *context, const Expr *e),
                    void *context, Expr **out, Error *err) WARN_UNUSED;
/* As SQL-like text for EXPLAIN; names gives a column's name (context, id). */
void expr_print(Buf *out, const Expr *e, const char *(*name)(void *context, ColumnId id),
                void *context);

/* ---------------------------------------------------------------- evaluation */

typedef struct Evaluator Evaluator;

/* One evaluator per worker and expression list. exprs are lowered (ordinals). */
Status evaluator_new(Arena *arena, const EvalSession *session, uint32_t count,
                     const Expr *const *exprs, Evaluator **out, Error *err) WARN_UNUSED;
/*
 * Evaluates expression `index` for the batch's rows; the result is aligned with the batch's positions
 * (any form; undefined outside the selection), valid until the batch is cleared or evaluator_reset.
 * A data error of a selected row is returned as an error with its message, values and position.
 */
Status evaluator_run(Evaluator *self, uint32_t index, const Batch *batch, Vector *out,
                     Error *err) WARN_UNUSED;
/* Rows for which the boolean expression is true: fills selection[], returns their number in *count. */
Status evaluator_filter(Evaluator *self, uint32_t index, const Batch *batch, uint16_t *selection,
                        uint32_t *count, Error *err) WARN_UNUSED;
void evaluator_reset(Evaluator *self); /* frees what the last runs produced */
/* Folds an expression without columns, parameters and volatile functions to a constant. Anything else, and
 * a constant that raises, is left as it is: TRIB_OK, *out = e. */
Status expr_fold(Arena *arena, const EvalSession *session, const Expr *e, Expr **out,
                 Error *err) WARN_UNUSED;
/* Converts a literal as CAST does; errors as CAST raises them. */
Status value_cast(Arena *arena, const EvalSession *session, const Value *value, Type type,
                  Value *out, Error *err) WARN_UNUSED;

#endif
