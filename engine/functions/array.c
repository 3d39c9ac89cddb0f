/*
 * array.c - functions of arrays that choose among elements: positions, sets, order.
 *
 * Semantics are Trino's. Elements are compared as by IS NOT DISTINCT FROM where sets are meant, as by =
 * where a value is looked for. Results are gathered positions, so that text is shared with the arguments.
 */
#include "engine/functions/nested.h"

#include "engine/kernels/compare.h"

/* ---------------------------------------------------------------- looking for a value */

/* NULL if it is not found among elements of which some are NULL. */
static Status kernel_contains(KernelCall *call) {
    const Vector *v = &call->args[0];
    uint8_t *out = call->result->data;
    KERNEL_ROWS(call, row, {
        ListEntry entry = list_entry(v, row);
        bool unknown = false;
        out[row] = 0;
        for (uint32_t i = entry.offset; i < entry.offset + entry.length && !out[row]; i++) {
            if (vector_is_null(v->children, i)) {
                unknown = true;
                continue;
            }
            Equality equal = vector_equality(v->children, i, &call->args[1], row);
            out[row] = equal == EQUAL_YES;
            unknown = unknown || equal == EQUAL_UNKNOWN;
        }
        if (!out[row] && unknown) TRY(kernel_set_null(call, row));
    });
    return TRIB_OK;
}

static const Function rows[] = {
    {.id = TRIB_FN_contains,
     .name = "contains",
     .signature = "array(T), T -> boolean",
     .kernel = kernel_contains,
     .family = "array",
     .help = "Whether an element equals the value; NULL if that depends on a NULL element."},
};

FUNCTION_TABLE(functions_array, rows);
