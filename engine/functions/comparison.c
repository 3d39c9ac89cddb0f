/*
 * comparison.c - rows of the comparison operators, greatest, least.
 */
#include "engine/functions/tables.h"
#include "engine/kernels/compare.h"

/* ---------------------------------------------------------------- greatest, least */

static bool value_is_nan(const Vector *v, uint32_t row) {
    if (v->physical == PHYS_DOUBLE) {
        double x = *(const double *)vector_at(v, row);
        return x != x;
    }
    if (v->physical != PHYS_FLOAT) return false;
    float x = *(const float *)vector_at(v, row);
    return x != x;
}

/* Position of the wanted argument of a row: NaN only if there is nothing else, as in Trino. */
static uint32_t extreme_argument(KernelCall *call, uint32_t row, int sign) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < call->nargs; i++) {
        const Vector *a = &call->args[i], *b = &call->args[best];
        if (value_is_nan(a, row)) continue;
        if (value_is_nan(b, row) || vector_compare(a, row, b, row) * sign > 0) best = i;
    }
    return best;
}

static Status extreme(KernelCall *call, int sign) {
    size_t size = physical_size((PhysicalType)call->result->physical);
    if (size == 0 || call->result->physical == PHYS_LIST) {
        KERNEL_ROWS(call, row, {
            Value value;
            uint32_t best = extreme_argument(call, row, sign);
            TRY(vector_value(call->arena, &call->args[best], row, &value, call->err));
            TRY(vector_set(call->arena, call->result, row, &value, call->err));
        });
        return TRIB_OK;
    }
    KERNEL_ROWS(call, row, {
        uint32_t best = extreme_argument(call, row, sign);
        memcpy((char *)call->result->data + row * size, vector_at(&call->args[best], row), size);
    });
    return TRIB_OK;
}

static Status kernel_greatest(KernelCall *call) {
    return extreme(call, 1);
}

static Status kernel_least(KernelCall *call) {
    return extreme(call, -1);
}

/* Physical values are copied, so that all arguments need the common type exactly. */
static Status resolve_extreme(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = args[0];
    for (uint32_t i = 1; i < nargs; i++) {
        if (!type_common(arena, *result, args[i], result)) {
            return error_set(err, ERR_SYNTAX, "the arguments have no common type");
        }
    }
    for (uint32_t i = 0; i < nargs; i++) args[i] = *result;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

#define COMPARISON(ID, LETTER, HELP)                                                    \
    {                                                                                   \
        .id = TRIB_FN_##ID, .name = #ID, .signature = LETTER ", " LETTER " -> boolean", \
        .kernel = kernel_##ID, .family = "comparison", .help = HELP                     \
    }

static const Function rows[] = {
    COMPARISON(eq, "T", "Equal; NULL if either is NULL."),
    COMPARISON(ne, "T", "Not equal; NULL if either is NULL."),
    COMPARISON(lt, "O", "Less than; NULL if either is NULL."),
    COMPARISON(le, "O", "Less than or equal; NULL if either is NULL."),
    COMPARISON(gt, "O", "Greater than; NULL if either is NULL."),
    COMPARISON(ge, "O", "Greater than or equal; NULL if either is NULL."),
    {.id = TRIB_FN_is_distinct_from,
     .name = "is_distinct_from",
     .signature = "T, T -> boolean",
     .nulls = NULLS_CALLED,
     .kernel = kernel_is_distinct_from,
     .family = "comparison",
     .help = "Whether two values differ, NULL being a value like others."},
    {.id = TRIB_FN_greatest,
     .name = "greatest",
     .signature = "O, O... -> *",
     .kernel = kernel_greatest,
     .resolve = resolve_extreme,
     .family = "comparison",
     .help = "The largest of the arguments; NULL if one is NULL."},
    {.id = TRIB_FN_least,
     .name = "least",
     .signature = "O, O... -> *",
     .kernel = kernel_least,
     .resolve = resolve_extreme,
     .family = "comparison",
     .help = "The smallest of the arguments; NULL if one is NULL."},
};

FUNCTION_TABLE(functions_comparison, rows);
