/*
 * operators.c - which operator runs which kind of physical node.
 */
#include "engine/exec/operator.h"

static const Operator *const operators[PHYS_KIND_COUNT] = {
    [PHYS_SCAN] = &op_scan,
    [PHYS_VALUES] = &op_values,
    [PHYS_SETS] = &op_sets,
    [PHYS_FILTER] = &op_filter,
    [PHYS_PROJECT] = &op_project,
    [PHYS_HASH_JOIN] = &op_hash_join,
    [PHYS_AGGREGATE] = &op_aggregate,
    [PHYS_SORT] = &op_sort,
    [PHYS_TOPN] = &op_topn,
    [PHYS_LIMIT] = &op_limit,
    [PHYS_UNION] = &op_union,
    [PHYS_SINGLE_ROW] = &op_single_row,
    [PHYS_EXPAND] = &op_expand,
    [PHYS_WRITE] = &op_write,
    [PHYS_MERGE] = &op_merge,
    [PHYS_RESULT] = &op_result,
    [PHYS_VERIFY] = &op_verify,
    [PHYS_REPEAT] = &op_repeat,
    [PHYS_SAMPLE] = &op_sample,
    [PHYS_TIES] = &op_ties,
    [PHYS_UNNEST] = &op_unnest,
    [PHYS_SHARED] = &op_shared,
    [PHYS_SHARED_READ] = &op_shared_read,
    [PHYS_RECURSIVE] = &op_recursive,
    [PHYS_WORKING] = &op_working,
    [PHYS_WINDOW] = &op_window,
};

const Operator *operator_of(PhysKind kind) {
    return operators[kind];
}

/* UNION ALL has no work of its own: the pipelines of its inputs all end in the same chain. */
const Operator op_union = {.name = "union"};
