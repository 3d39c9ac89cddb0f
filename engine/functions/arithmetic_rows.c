/*
 * arithmetic_rows.c - rows of + - * / % and unary - for numbers, mod, abs, and the types of decimal
 * results. Dates and intervals are in interval.c.
 */
#include "engine/functions/tables.h"
#include "engine/kernels/arithmetic.h"

static Status decimal_result(Type type, Type a, Type b, const char *operation, Type *result,
                             Error *err) {
    *result = type;
    if (type.id == TRIB_TYPE_DECIMAL) return TRIB_OK;
    return error_set(err, ERR_PRECISION,
                     "the %s of decimal(%d,%d) and decimal(%d,%d) needs more than %d digits after "
                     "the point",
                     operation, a.precision, a.scale, b.precision, b.scale, DECIMAL_MAX_DIGITS);
}

static Status resolve_sum(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal_add(args[0], args[1]);
    return TRIB_OK;
}

static Status resolve_product(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    return decimal_result(type_decimal_multiply(args[0], args[1]), args[0], args[1], "product",
                          result, err);
}

static Status resolve_quotient(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal_divide(args[0], args[1]);
    return TRIB_OK;
}

static Status resolve_modulus(Arena *arena, uint32_t nargs, Type *args, Type *result, Error *err) {
    *result = type_decimal_modulus(args[0], args[1]);
    return TRIB_OK;
}

#define NUMBERS "arithmetic"
#define BINARY_ROW(ID, NAME, TYPE_NAME, RAISES, KERNEL, HELP)                                     \
    {                                                                                             \
        .id = TRIB_FN_##ID, .name = NAME, .signature = TYPE_NAME ", " TYPE_NAME " -> " TYPE_NAME, \
        .may_raise = RAISES, .kernel = KERNEL, .family = NUMBERS, .help = HELP                    \
    }
#define UNARY_ROW(ID, TYPE_NAME, RAISES, HELP)                                      \
    {                                                                               \
        .id = TRIB_FN_##ID, .name = #ID, .signature = TYPE_NAME " -> " TYPE_NAME,   \
        .may_raise = RAISES, .kernel = kernel_##ID, .family = NUMBERS, .help = HELP \
    }
#define DECIMAL_ROW(ID, NAME, KERNEL, RESOLVE, HELP)                                               \
    {                                                                                              \
        .id = TRIB_FN_##ID, .name = NAME, .signature = "decimal, decimal -> *", .may_raise = true, \
        .kernel = KERNEL, .resolve = RESOLVE, .family = NUMBERS, .help = HELP                      \
    }

#define BINARY_ROWS(ID, NAME, KERNEL, DECIMAL_KERNEL, RESOLVE, HELP) \
    BINARY_ROW(ID, NAME, "integer", true, KERNEL, HELP),             \
        BINARY_ROW(ID, NAME, "bigint", true, KERNEL, HELP),          \
        BINARY_ROW(ID, NAME, "smallint", true, KERNEL, HELP),        \
        BINARY_ROW(ID, NAME, "tinyint", true, KERNEL, HELP),         \
        DECIMAL_ROW(ID, NAME, DECIMAL_KERNEL, RESOLVE, HELP),        \
        BINARY_ROW(ID, NAME, "double", false, KERNEL, HELP),         \
        BINARY_ROW(ID, NAME, "real", false, KERNEL, HELP)

#define UNARY_ROWS(ID, HELP)                                                         \
    UNARY_ROW(ID, "integer", true, HELP), UNARY_ROW(ID, "bigint", true, HELP),       \
        UNARY_ROW(ID, "smallint", true, HELP), UNARY_ROW(ID, "tinyint", true, HELP), \
        {.id = TRIB_FN_##ID,                                                         \
         .name = #ID,                                                                \
         .signature = "decimal -> *",                                                \
         .kernel = kernel_##ID,                                                      \
         .resolve = resolve_first,                                                   \
         .family = NUMBERS,                                                          \
         .help = HELP},                                                              \
        UNARY_ROW(ID, "double", false, HELP), UNARY_ROW(ID, "real", false, HELP)

static const Function rows[] = {
    BINARY_ROWS(add, "add", kernel_add, kernel_decimal_add, resolve_sum,
                "Sum; integers raise an error on overflow."),
    BINARY_ROWS(subtract, "subtract", kernel_subtract, kernel_decimal_subtract, resolve_sum,
                "Difference; integers raise an error on overflow."),
    BINARY_ROWS(multiply, "multiply", kernel_multiply, kernel_decimal_multiply, resolve_product,
                "Product; integers raise an error on overflow."),
    BINARY_ROWS(divide, "divide", kernel_divide, kernel_decimal_divide, resolve_quotient,
                "Quotient; integers truncate, division of exact numbers by zero is an error."),
    BINARY_ROWS(modulus, "modulus", kernel_modulus, kernel_decimal_modulus, resolve_modulus,
                "Remainder with the sign of the dividend."),
    BINARY_ROWS(mod, "mod", kernel_modulus, kernel_decimal_modulus, resolve_modulus,
                "Remainder with the sign of the dividend."),
    UNARY_ROWS(negate, "The number with its sign changed."),
    UNARY_ROWS(abs, "The number without its sign."),
};

FUNCTION_TABLE(functions_arithmetic, rows);
