/*
 * tables.h - the tables that make up the registry, one per family, beside their kernels.
 */
#ifndef TRIB_FUNCTIONS_TABLES_H
#define TRIB_FUNCTIONS_TABLES_H

#include "engine/functions/function.h"

typedef struct FunctionTable {
    const Function *rows;
    uint32_t count;
} FunctionTable;

typedef struct AggregateTable {
    const Aggregate *rows;
    uint32_t count;
} AggregateTable;

#define FUNCTION_TABLE(name, array) const FunctionTable name = {array, COUNT_OF(array)}

#define FUNCTIONS(name) extern const FunctionTable functions_##name;
#include "engine/functions/tables.def"
#undef FUNCTIONS

extern const AggregateTable aggregates_count;
extern const AggregateTable aggregates_sum;
extern const AggregateTable aggregates_extreme;
extern const AggregateTable aggregates_statistics;
extern const AggregateTable aggregates_bitwise;
extern const AggregateTable aggregates_regression;
extern const AggregateTable aggregates_by;
extern const AggregateTable aggregates_array;
extern const AggregateTable aggregates_text;
extern const AggregateTable aggregates_map;
extern const AggregateTable aggregates_distinct;
extern const AggregateTable aggregates_percentile;
extern const AggregateTable aggregates_histogram;

/* resolve() of functions whose result is their first argument's type. */
Status resolve_first(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err);

#endif
