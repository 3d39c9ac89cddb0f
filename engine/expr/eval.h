/*
 * eval.h - the evaluator's insides, shared by its sources only.
 *
 * Each Expr has an EvalNode with what evaluation needs beside it: kernel, prepared state, results that
 * are computed once. eval() computes a node for the rows of a selection; the result is aligned with
 * the positions of the context and undefined elsewhere. Data errors are a byte per position.
 */
#ifndef TRIB_EXPR_EVAL_H
#define TRIB_EXPR_EVAL_H

#include "engine/base/grant.h"
#include "engine/expr/expr.h"
#include "engine/kernels/compare.h"

#define NO_COLUMN    UINT32_MAX
#define MANY_COLUMNS (UINT32_MAX - 1)

typedef struct EvalNode EvalNode;
typedef struct LambdaFrame LambdaFrame; /* eval_lambda.c */

/* Values of the parameters of a lambda whose body is evaluated, aligned with the context's positions. */
typedef struct Variables Variables;
struct Variables {
    const Variables *outer; /* of the lambda around it */
    uint32_t count;
    const Vector *values;
};

/* A vector and the rows that raised instead. Blocks that nobody else refers to may be given back. */
typedef struct EvalResult {
    Vector vector;
    uint8_t *errors; /* by position, KERNEL_ERROR or 0, defined on the selection; NULL = none */
    void *blocks[3]; /* data, validity, errors when they are this result's own */
} EvalResult;

/* The constants of IN as a hash table. */
typedef struct InSet {
    Vector values; /* FLAT */
    uint64_t *hashes;
    uint32_t *slots; /* index + 1 into values; 0 = empty */
    uint32_t mask, count;
    bool has_null;
} InSet;

typedef enum { FIXED_NOT, FIXED_UNKNOWN, FIXED_KNOWN } FixedState;

struct EvalNode {
    const Expr *expr;
    EvalNode **args;
    uint32_t nargs;
    uint32_t column;     /* the only ordinal below, NO_COLUMN or MANY_COLUMNS */
    Kernel kernel;       /* CALL, CAST */
    void *state;         /* what prepare() made */
    bool renaming;       /* CAST that only changes the type's name */
    bool dense_nulls;    /* the kernel may meet rows whose arguments are NULL */
    bool strict;         /* NULL wherever the only column is NULL */
    uint8_t fixed_state; /* FixedState: without columns and volatile functions, computed once */
    uint8_t fixed_error;
    Vector fixed; /* CONSTANT */
    InSet *set;   /* IN whose candidates are all constants; then only args[0] has a node */
    /* the result per entry of the dictionary seen last */
    uint64_t dictionary_id;     /* 0 = none */
    uint64_t dictionary_result; /* identity of the result's own entries */
    Arena *dictionary_arena;
    Vector entries; /* if not strict, one more for NULL */
    uint8_t *entry_errors;
    LambdaFrame *lambda; /* LAMBDA */
};

/* Blocks of memory reused from run to run, by power of two. */
typedef struct Block Block;
struct Block {
    Block *next;
    uint32_t size_class;
    bool in_use;
};
#define BLOCK_CLASSES 32

struct Evaluator {
    Arena *arena;   /* nodes, fixed results */
    Arena *scratch; /* strings and the like, until reset */
    Grant grant;
    Allowance values; /* of scratch and the results of dictionaries */
    Arena *blocks_arena;
    Block *free_blocks[BLOCK_CLASSES];
    Block *used_blocks[BLOCK_CLASSES];
    const EvalSession *session;
    EvalSession default_session;
    uint32_t count;
    EvalNode **nodes;
};

/* What one evaluation runs over. */
typedef struct EvalContext {
    Evaluator *evaluator;
    const Vector *columns;
    uint32_t ncolumns;
    uint32_t positions;
    Arena *arena;               /* for what the result refers to */
    bool pooled;                /* data comes from the evaluator's blocks instead of the arena */
    const Variables *variables; /* in the body of a lambda */
    /* A row that raised is evaluated once more: the call that raised by itself says why, in `explain`. */
    const EvalNode *explained;
    Buf *explain;
    uint8_t explained_error;
    Error *err;
} EvalContext;

Status eval(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
            EvalResult *out) WARN_UNUSED;
/* Selected rows for which a boolean node is true; raises their errors. `out` may not be `selection`. */
Status eval_filter(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                   uint16_t *out, uint32_t *selected) WARN_UNUSED;

/* eval_call.c */
Status eval_call(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                 EvalResult *out);
/* What kernels see of a call while it is made (KernelCall.frame). */
typedef struct CallSite {
    EvalContext *ctx;
    EvalNode *node;
} CallSite;
/* eval_lambda.c */
Status lambda_prepare(Evaluator *self, EvalNode *node, Error *err) WARN_UNUSED;
/* eval_logic.c */
Status eval_chain(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                  EvalResult *out);
Status eval_not(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                EvalResult *out);
Status eval_is_null(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                    EvalResult *out);
Status eval_try(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                EvalResult *out);
/* eval_branch.c */
Status eval_case(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                 EvalResult *out);
Status eval_coalesce(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                     EvalResult *out);
Status eval_nullif(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
                   EvalResult *out);
/* eval_in.c */
Status eval_in(EvalContext *ctx, EvalNode *node, const uint16_t *selection, uint32_t count,
               EvalResult *out);
/* The constants of IN as a set; NULL if they are not all constants, or nested. */
Status in_set_new(Arena *arena, const Expr *in, InSet **out, Error *err) WARN_UNUSED;
/* eval_raise.c: the error of a row as a message; never returns TRIB_OK. */
Status eval_raise(EvalContext *ctx, EvalNode *node, uint32_t row, uint8_t error);
/* Raises the first error of the selection, if there is one. */
Status eval_check(EvalContext *ctx, EvalNode *node, const uint8_t *errors,
                  const uint16_t *selection, uint32_t count);

/* ---- memory and small steps (eval_memory.c) */
void *context_block(EvalContext *ctx, size_t bytes); /* not zeroed; NULL when exhausted */
void context_give_back(EvalContext *ctx, void *block);
void result_give_back(EvalContext *ctx,
                      EvalResult *result); /* its own blocks, after the last use */
/* A FLAT vector over all positions. */
Status result_new(EvalContext *ctx, Type type, EvalResult *out);
Status result_need_validity(EvalContext *ctx, EvalResult *self);
Status result_need_errors(EvalContext *ctx, EvalResult *self); /* zeroed */
Status result_constant_null(EvalContext *ctx, Type type, EvalResult *out);
/* errors[row] of self become those of `from` where self has none and from has one. */
Status result_merge_errors(EvalContext *ctx, EvalResult *self, const EvalResult *from,
                           const uint16_t *selection, uint32_t count);
bool errors_any(const uint8_t *errors, const uint16_t *selection, uint32_t count);
/* Rows of the selection that have no error, and (if nulls are to go) are not NULL. */
uint32_t rows_alive(const EvalResult *result, bool drop_nulls, const uint16_t *selection,
                    uint32_t count, uint16_t *out);
/* The result as FLAT (or CONSTANT): dictionaries are spread. */
Status result_flatten(EvalContext *ctx, EvalResult *self, const uint16_t *selection,
                      uint32_t count);
/* A boolean result as bytes 0/1 in out->vector.data (FLAT): constants and dictionaries are spread. */
Status result_booleans(EvalContext *ctx, EvalResult *self, const uint16_t *selection,
                       uint32_t count);
/* Whether a row is NULL, for FLAT and CONSTANT. */
static inline bool flat_is_null(const Vector *v, uint32_t row) {
    if (v->validity == NULL) return false;
    return !bitmap_get(v->validity, v->form == VECTOR_CONSTANT ? 0 : row);
}

#endif
