/*
 * cardinality.c - the check that a scalar sub-query gave one row, as a function of the number of rows.
 *
 * The optimiser puts it beside values of sub-queries that it has turned into groupings; it has no name in
 * SQL and stands in no table.
 */
#include "engine/functions/function.h"

static Status kernel_single_row(KernelCall *call) {
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        int64_t rows = KERNEL_ARG(call, 0, int64_t, row);
        out[row] = rows == 1;
        if (rows > 1) call->errors[row] = KERNEL_ERROR(ERR_SCALAR_SUBQUERY_ROWS);
    });
    return TRIB_OK;
}

const Function function_single_row = {
    .name = "single_row",
    .signature = "bigint -> boolean",
    .nulls = NULLS_PROPAGATE,
    .may_raise = true,
    .kernel = kernel_single_row,
    .family = "Comparison",
    .help = "True for 1, false for 0; more rows than one are an error.",
};
