/*
 * stored.c - conversions of values that are stored where CAST lets pass what a column must not: Trino's CAST makes an
 * infinity of a double that is too large for real, and the row that keeps it has lost its value.
 *
 * The binder puts them before the columns that are written; they have no name in SQL and stand in no table.
 */
#include "engine/base/number.h"
#include "engine/functions/function.h"

#include <math.h>

static Status kernel_stored_real(KernelCall *call) {
    float *out = call->result->data;
    KERNEL_ROWS(call, row, {
        double value = KERNEL_ARG(call, 0, double, row);
        bool fits = !isfinite(value) || fabs(value) < FLOAT_LIMIT;
        out[row] = fits ? (float)value : 0;
        if (!fits)
            KERNEL_FAIL(call, row, ERR_OUT_OF_RANGE, "%g does not fit a column of type real",
                        value);
    });
    return TRIB_OK;
}

const Function function_stored_real = {
    .name = "real",
    .signature = "double -> real",
    .nulls = NULLS_PROPAGATE,
    .may_raise = true,
    .kernel = kernel_stored_real,
    .family = "Conversion",
    .help = "The nearest real; a finite value beyond the largest is an error.",
};
