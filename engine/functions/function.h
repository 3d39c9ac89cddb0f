/*
 * function.h - the registry of functions: one row per overload, beside its kernel.
 *
 * A row serves the binder (overload resolution), constant folding, execution, {fn} escapes, SQLGetInfo
 * bitmaps (through the id), docs/functions.md, SHOW FUNCTIONS and push-down (through the id).
 * Kernels and what they see: kernels/kernel.h.
 */
#ifndef TRIB_FUNCTIONS_FUNCTION_H
#define TRIB_FUNCTIONS_FUNCTION_H

#include "engine/kernels/kernel.h"

typedef struct Function Function;
typedef struct Aggregate Aggregate;
typedef struct WindowFunction WindowFunction;

typedef enum { NULLS_PROPAGATE, NULLS_CALLED } NullBehaviour;
typedef enum { STABILITY_IMMUTABLE, STABILITY_STATEMENT, STABILITY_VOLATILE } Stability;

/*
 * Signature text: "bigint, bigint -> bigint", "varchar -> bigint", "T, T... -> T",
 * "decimal, decimal -> *" ( * = resolve() computes it). A type's name stands for all its lengths and
 * precisions. Letters stand for one type throughout: T and K comparable, O orderable, V varchar of one
 * length, E, W, S, R, U any. Nested types are patterns of them: "array(E), bigint -> E",
 * "map(K, W) -> array(row(K, W))"; "any" takes each argument as it is. A lambda is written with its
 * parameters and, last, its result: "array(E), function(E, boolean) -> array(E)".
 */
struct Function {
    uint16_t id;         /* TribFunctionId */
    const char *name;    /* SQL name, lower case */
    const char *aliases; /* "ceil" or "a|b"; NULL */
    const char *signature;
    NullBehaviour nulls;
    Stability stability;
    bool may_raise; /* for some arguments */
    Kernel kernel;
    /* Result type (and adjusted argument types) for '*' results; NULL otherwise. It gets the types after the
     * coercion to the signature's, and may set err (INVALID) if they do not fit. */
    Status (*resolve)(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err);
    /* Precomputes from constant arguments (pattern of LIKE ...): constants[i] NULL if not constant. */
    Status (*prepare)(Arena *arena, uint32_t nargs, const Value *const *constants, void **state,
                      Error *err);
    const char *family; /* of the documentation */
    const char *help;   /* one sentence */
    /* Of a row made for one call: what the call's clauses say. NULL in the registry. */
    const void *context;
};

/*
 * An aggregate's state is a fixed-size record inside the rows of a hash table or a single row, plus
 * optional variable memory in an arena (min/max of strings). update sees one state per row. States are
 * aligned to 16 bytes if their size is a multiple of 16, else to 8; init must not keep addresses: its
 * result is copied bytewise into every new row.
 */
struct Aggregate {
    uint16_t id;
    const char *name, *aliases;
    const char *signature;
    uint32_t state_size; /* multiple of 8 */
    bool may_raise;      /* overflow: reported in finish or update through err */
    bool spillable_raw;  /* the state is plain bytes (no pointers): may be written as it is */
    bool order_matters;  /* the result depends on the order of the rows */
    bool zero_of_none;   /* never NULL: without rows the result is 0, as count's is */
    /* args: types of the arguments, which outlive the state. */
    void (*init)(void *state, const Type *args, Type result);
    /* rows i of the selection go to states[i]; args may be any form; NULL rows are skipped inside. */
    Status (*update)(const Aggregate *self, uint32_t nargs, const Vector *args,
                     const uint16_t *selection, uint32_t count, uint8_t *const *states,
                     uint32_t offset, Arena *arena, Error *err);
    /* All rows of the selection go to one state: the ungrouped fast path. NULL = use update. */
    Status (*update_single)(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, void *state, Arena *arena,
                            Error *err);
    /* into += from; both live. */
    Status (*combine)(const Aggregate *self, void *into, const void *from, Arena *arena,
                      Error *err);
    /* Writes results for `count` states to positions 0.. of a FLAT result. */
    Status (*finish)(const Aggregate *self, uint8_t *const *states, uint32_t offset, uint32_t count,
                     Vector *result, Arena *arena, Error *err);
    Status (*resolve)(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err);
    const char *family, *help;
    /* Optional: into[i] += from[i] in order (an `into` may repeat); NULL = combine is called per row. */
    Status (*combine_many)(const Aggregate *self, uint8_t *const *into, uint8_t *const *from,
                           uint32_t offset, uint32_t count, Arena *arena, Error *err);
    /* States with pointers (!spillable_raw) as bytes and back, for spilling: required for those.
     * deserialise fills in a state that init() has prepared. */
    uint64_t (*state_bytes)(const Aggregate *self, const void *state);
    void (*serialise)(const Aggregate *self, const void *state, void *out);
    Status (*deserialise)(const Aggregate *self, void *state, const void *data, uint64_t bytes,
                          Arena *arena, Error *err);
    /* Of a row made for one call: what the call's clauses say. NULL in the registry. */
    const void *context;
    /* Optional: undoes update_single for rows that were added before, exactly. NULL = cannot. */
    Status (*remove_single)(const Aggregate *self, uint32_t nargs, const Vector *args,
                            const uint16_t *selection, uint32_t count, void *state, Error *err);
};

/* A function that is asked for each row of a partition; exec/window_*.c computes it. Aggregates are
 * window functions, too, without being listed here. */
struct WindowFunction {
    uint16_t id;
    const char *name;
    const char *signature;
    bool framed;       /* sees the rows of the frame, else those of the partition */
    bool treats_nulls; /* IGNORE NULLS may stand behind it */
    bool needs_order;
    const char *help;
};

/* One sort key of an ORDER BY inside a call. */
typedef struct AggregateOrder {
    bool descending, nulls_first;
} AggregateOrder;

/* A row for calls of `inner` with nargs arguments whose rows come sorted: the call's arguments are those of
 * inner and behind them the sort keys (orderable). */
Status aggregate_ordered(Arena *arena, const Aggregate *inner, uint32_t nargs, uint32_t nkeys,
                         const AggregateOrder *keys, const Aggregate **out, Error *err) WARN_UNUSED;
/* A row for calls of listagg with ON OVERFLOW TRUNCATE filler WITH|WITHOUT COUNT. */
Status aggregate_listagg(Arena *arena, const Aggregate *inner, Str filler, bool with_count,
                         const Aggregate **out, Error *err) WARN_UNUSED;
/* Do two rows compute the same from the same arguments? */
bool aggregate_same(const Aggregate *a, const Aggregate *b);

/* A resolved call: argument types after coercion, result type, the row. */
typedef struct ResolvedFunction {
    const Function *function;
    Type *args;
    Type result;
} ResolvedFunction;

typedef struct ResolvedAggregate {
    const Aggregate *aggregate;
    Type *args;
    Type result;
} ResolvedAggregate;

/* Binds the body of argument `arg`, a lambda, over parameters of the given types and gives the body's type. It
 * may be called several times for one argument; the last types it was called with, or those of the resolved
 * argument, are the ones that count. */
typedef struct LambdaBinder {
    void *context;
    Status (*bind)(void *context, uint32_t arg, uint32_t nparams, const Type *params, Type *result,
                   Error *err);
} LambdaBinder;

typedef struct ResolvedWindowFunction {
    const WindowFunction *function;
    Type *args;
    Type result;
} ResolvedWindowFunction;

/* Overload resolution after Trino: exact match first, then the one with the fewest coercions.
 * Unknown name: 42000 with the nearest names; wrong arguments: the signatures there are. */
Status function_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                        ResolvedFunction *out, Error *err) WARN_UNUSED;
/* The same for calls with lambdas: their type is given as FUNCTION, its length the number of parameters; in
 * out->args it has the parameters' types and the result's as fields. */
Status function_resolve_lambda(Arena *arena, Str name, uint32_t nargs, const Type *args,
                               const LambdaBinder *lambdas, ResolvedFunction *out,
                               Error *err) WARN_UNUSED;
Status function_resolve_id(Arena *arena, TribFunctionId id, uint32_t nargs, const Type *args,
                           ResolvedFunction *out, Error *err) WARN_UNUSED;
Status aggregate_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                         ResolvedAggregate *out, Error *err) WARN_UNUSED;
Status window_function_resolve(Arena *arena, Str name, uint32_t nargs, const Type *args,
                               ResolvedWindowFunction *out, Error *err) WARN_UNUSED;
/* Names of rows and of the special forms (coalesce, if, try, cast ...); operators have no such name. */
bool function_exists(Str name);
bool aggregate_exists(Str name);
bool window_function_exists(Str name);
bool function_has_kernel(TribFunctionId id); /* special forms and aggregates included */
/* "+", "=", "||" ...: how an operator is written between its arguments; NULL for functions. */
const char *function_symbol(TribFunctionId id);
const char *function_id_name(TribFunctionId id);
/* All rows, for documentation and SHOW FUNCTIONS: index from 0; NULL at the end. */
const Function *function_row(uint32_t index);
const Aggregate *aggregate_row(uint32_t index);
/* cardinality.c: stands in no list and has no name in SQL; the optimiser's. */
extern const Function function_single_row;
/* stored.c: the same; double to real as columns take it. */
extern const Function function_stored_real;
const WindowFunction *window_function_row(uint32_t index);
/* Forms that the evaluator knows by itself, without a kernel; name NULL: only by its own syntax. */
typedef struct FunctionForm {
    uint16_t id;
    const char *name, *signature, *help;
} FunctionForm;
const FunctionForm *function_form(uint32_t index);

#endif
