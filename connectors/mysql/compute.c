/*
 * compute.c - new values of columns that the server computes from the old row: UPDATE t SET c = c + 1.
 *
 * The facts behind it (each has its test against a real server):
 *  - The server computes integers in 64 bits, whatever their columns have, and raises beyond that (1690). The
 *    engine computes in the width of the type, and raises beyond it. At the top of a value that is one error or the
 *    other: storing it raises, too (1264; all are 22003). Below the top a sum that leaves the 64 bits exactly when
 *    the result leaves its type stands around it: x + K - K - K + K.
 *  - 0 - (-2^63) is -2^63 there, without an error.
 *  - Unsigned integers are widened in the engine; there, u - 1 of 0 is an error, although a later + 1 would mend it.
 *    So they are read as signed ones, and those of 64 bits as DECIMAL(20,0).
 *  - Decimals have 65 digits there, so that nothing is lost that the engine keeps. What a column cannot store is
 *    rounded with a note there: half away from zero, like CAST here, so it is rounded before.
 *  - Floating-point sums and products are those of C, but infinite ones are errors at once; here only when they are stored.
 *  - CONCAT mixes texts of one character set only: all are converted to utf8mb4, and back when they are stored
 *    (a character that the column's set does not have is an error, 22021, a text that is too long 22001).
 *  - Dates that are none are read as NULL: a CASE makes NULL of them.
 *  - CONCAT fails (1301), in some versions with NULL and a warning that writer.c looks for, where its result is longer
 *    than max_allowed_packet: so does a request with that text.
 */
#include <string.h>

#include "connectors/mysql/shippable.h"
#include "connectors/mysql/types.h"

#define EXACT_CLASSES (CLASS_INT | CLASS_DECIMAL)
#define DATE_CLASSES  (CLASS_DATE | CLASS_INSTANT)
#define REAL_CLASSES  (CLASS_INT | CLASS_DOUBLE | CLASS_FLOAT)

/* ---------------------------------------------------------------- columns */

static Status computed_column(const void *context, Arena *arena, const TribTable *table,
                              const TribColumn *column, SqlColumn *out, Error *err) {
    TRY(shippable_dialect.column(context, arena, table, column, out, err));
    switch (out->class) {
    case CLASS_UINT:
        if (column->type.id == TRIB_TYPE_DECIMAL) {
            out->class = CLASS_DECIMAL;
            out->text = "CAST({0} AS DECIMAL(20,0))";
        } else {
            out->class = CLASS_INT;
            out->text = "CAST({0} AS SIGNED)";
        }
        break;
    case CLASS_EXACT:
    case CLASS_PADDED:
    case CLASS_FOLDED:
        out->class = CLASS_FOLDED;
        out->text = "CONVERT({0} USING utf8mb4)";
        break;
    case CLASS_CHAR: out->text = "CONVERT({0} USING utf8mb4)"; break;
    case CLASS_DATE:
    case CLASS_INSTANT:
        TRY_ALLOC(out->text, arena_printf(arena, "(CASE WHEN %s THEN {0} END)", out->guard), err);
        out->guard = NULL;
        break;
    case CLASS_BOOL:
    case CLASS_BIT:
        if (column->type.id == TRIB_TYPE_BOOLEAN) out->text = "({0} <> 0)";
        break;
    default: break;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- storing */

static const char *store_rounded(Arena *arena, int scale, const char **reason) {
    const char *template = arena_printf(arena, "ROUND({0}, %d)", scale);
    if (!template) *reason = "memory is exhausted";
    return template;
}

static bool is_integer(TribType type) {
    return type.id >= TRIB_TYPE_TINYINT && type.id <= TRIB_TYPE_BIGINT;
}

static bool type_alike(TribType a, TribType b) {
    return a.id == b.id && a.precision == b.precision;
}

static bool stores_number(ColumnClass target) {
    return target == CLASS_INT || target == CLASS_UINT || target == CLASS_DECIMAL;
}

/* The conversion to the column's type is left to the server only where it does the same. */
static const char *computed_store(const void *context, Arena *arena, const TribColumn *target,
                                  TribType type, uint32_t classes, const char **reason) {
    ColumnFacts facts = {.class = CLASS_OTHER};
    if (target->facts) facts_parse(target->facts, &facts);
    *reason = "a new value of this column is not computed in the source";
    if (target->unreadable) return NULL;
    if (is_integer(type) && !(classes & ~(uint32_t)CLASS_INT))
        return stores_number(facts.class) || facts.class == CLASS_DOUBLE ? "{0}" : NULL;
    if (type.id == TRIB_TYPE_DECIMAL && !(classes & ~(uint32_t)EXACT_CLASSES)) {
        if (!stores_number(facts.class)) return NULL;
        int scale = target->type.id == TRIB_TYPE_DECIMAL ? target->type.scale : 0;
        return type.scale > scale ? store_rounded(arena, scale, reason) : "{0}";
    }
    if (type.id != target->type.id) return NULL;
    switch (type.id) {
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE: return classes & ~(uint32_t)REAL_CLASSES ? NULL : "{0}";
    case TRIB_TYPE_VARCHAR:
        return facts.class & CLASS_TEXT && !(classes & ~(uint32_t)CLASS_FOLDED) ? "{0}" : NULL;
    case TRIB_TYPE_BOOLEAN: return facts.class & (CLASS_BOOL | CLASS_BIT) ? "{0}" : NULL;
    case TRIB_TYPE_VARBINARY: return facts.class == CLASS_BINARY ? "{0}" : NULL;
    case TRIB_TYPE_CHAR: return facts.class == CLASS_CHAR ? "{0}" : NULL;
    case TRIB_TYPE_DATE:
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ:
        return type_alike(type, target->type) && facts.class & DATE_CLASSES ? "{0}" : NULL;
    case TRIB_TYPE_UUID: return facts.class == CLASS_UUID ? "{0}" : NULL;
    default: return NULL;
    }
}

/* ---------------------------------------------------------------- rules */

/* 2^63 - 2^7, - 2^15, - 2^31: what is left of 64 bits above the types of 8, 16 and 32. */
#define ABOVE_8        "9223372036854775680"
#define ABOVE_16       "9223372036854743040"
#define ABOVE_32       "9223372034707292160"
#define HELD(value, k) value " + " k " - " k " - " k " + " k

#define INTEGER_RULE(op_, result_, flags_, template_, check_)                                    \
    {                                                                                            \
        .op = (op_), .flags = SQL_RAISES | (flags_), .first = SQL_INTEGERS, .result = (result_), \
        .classes = CLASS_INT, .verdict = TRIB_EXACT, .template = (template_), .check = (check_)  \
    }
#define INTEGER_RULES(op_, value, stored, check)                                  \
    INTEGER_RULE(op_, SQL_INTEGERS & ~SQL_TYPE(BIGINT), SQL_STORED, value, NULL), \
        INTEGER_RULE(op_, SQL_TYPE(BIGINT), SQL_STORED, stored, check),           \
        INTEGER_RULE(op_, SQL_TYPE(BIGINT), 0, value, check),                     \
        INTEGER_RULE(op_, SQL_TYPE(INTEGER), 0, (HELD(value, ABOVE_32)), NULL),   \
        INTEGER_RULE(op_, SQL_TYPE(SMALLINT), 0, (HELD(value, ABOVE_16)), NULL),  \
        INTEGER_RULE(op_, SQL_TYPE(TINYINT), 0, (HELD(value, ABOVE_8)), NULL)
/* Only these may raise: results beyond 38 digits. */
#define DECIMAL_RULE(op_, template_)                                               \
    {                                                                              \
        .op = (op_), .flags = SQL_RAISES | SQL_STORED, .first = SQL_TYPE(DECIMAL), \
        .classes = EXACT_CLASSES, .verdict = TRIB_EXACT, .template = (template_),  \
        .check = check_scale, .gives = CLASS_DECIMAL                               \
    }
#define REAL_RULE(op_, template_)                                                       \
    {                                                                                   \
        .op = (op_), .flags = SQL_STORED, .first = SQL_FLOATS, .classes = REAL_CLASSES, \
        .verdict = TRIB_EXACT, .template = (template_)                                  \
    }
#define NEGATION(types, classes_)                                                             \
    {                                                                                         \
        .op = TRIB_FN_negate, .first = (types), .classes = (classes_), .verdict = TRIB_EXACT, \
        .template = "- {0}"                                                                   \
    }
#define EXTREME(op_, name)                                                               \
    {                                                                                    \
        .op = (op_), .first = SQL_INTEGERS, .classes = CLASS_INT, .verdict = TRIB_EXACT, \
        .template = (name "({0}, {1*})")                                                 \
    }
#define CHOICE(types, classes_, gives_)                                                     \
    {.op = TRIB_FN_coalesce,                                                                \
     .first = (types),                                                                      \
     .classes = (classes_),                                                                 \
     .verdict = TRIB_EXACT,                                                                 \
     .template = "COALESCE({0}, {1*})",                                                     \
     .gives = (gives_)},                                                                    \
    {                                                                                       \
        .op = TRIB_FN_case, .first = (types), .classes = (classes_), .verdict = TRIB_EXACT, \
        .template = "CASE", .gives = (gives_)                                               \
    }

#define DIFFERENCE      "{0} - {1}"
#define WIDE_DIFFERENCE "CAST({0} AS DECIMAL(20,0)) - {1}"

/* The server sees no overflow in 0 - (-2^63). As decimals the difference is right, and too large to be stored. */
static TribVerdictKind check_difference(const SqlRender *render, const TribNode *call,
                                        const char **template, const char **reason) {
    const TribNode *second = sql_argument(render, call, 1);
    const TribValue *value = sql_literal(render, second);
    bool narrower = second->kind == TRIB_NODE_CALL && second->op == TRIB_FN_cast &&
                    sql_argument(render, second, 0)->type.id < TRIB_TYPE_BIGINT;
    if (narrower || (value && !value->is_null && value->as.integer != INT64_MIN)) {
        *template = DIFFERENCE;
        return TRIB_EXACT;
    }
    if (strcmp(*template, WIDE_DIFFERENCE) == 0) return TRIB_EXACT;
    *reason = "the difference of two values of 64 bits";
    return TRIB_NONE;
}

static TribVerdictKind check_remainder(const SqlRender *render, const TribNode *call,
                                       const char **template, const char **reason) {
    const TribValue *divisor = sql_literal(render, sql_argument(render, call, 1));
    if (divisor && !divisor->is_null && divisor->as.integer != 0) return TRIB_EXACT;
    *reason = "the divisor is not a known constant";
    return TRIB_NONE;
}

/* The server keeps 30 digits after the point. */
static TribVerdictKind check_scale(const SqlRender *render, const TribNode *call,
                                   const char **template, const char **reason) {
    if (call->type.scale <= 30) return TRIB_EXACT;
    *reason = "more digits after the point than the source computes";
    return TRIB_NONE;
}

static TribVerdictKind cast_refused(const char **reason) {
    *reason = "the cast may cut";
    return TRIB_NONE;
}

/* Summed up as what they are, two of them would overflow in 64 bits. */
static TribVerdictKind check_digits(const SqlRender *render, const TribNode *call,
                                    const char **template, const char **reason) {
    const char *cast = arena_printf(render->arena, "CAST({0} AS DECIMAL(%u,%d))",
                                    (unsigned)call->type.precision, (int)call->type.scale);
    if (!cast || call->type.scale > 30) return cast_refused(reason);
    *template = cast;
    return TRIB_EXACT;
}

static TribVerdictKind check_char(const SqlRender *render, const TribNode *call,
                                  const char **template, const char **reason) {
    uint32_t from = sql_argument(render, call, 0)->type.length, to = call->type.length;
    return to == 0 || to >= from ? TRIB_EXACT : cast_refused(reason);
}

/* The engine gives CHAR(n) its n characters when it becomes a VARCHAR, the server reads it without blanks. */
static TribVerdictKind check_padded(const SqlRender *render, const TribNode *call,
                                    const char **template, const char **reason) {
    if (check_char(render, call, template, reason) != TRIB_EXACT) return TRIB_NONE;
    uint32_t length = sql_argument(render, call, 0)->type.length;
    const char *padded = arena_printf(render->arena, "RPAD({0}, %u, ' ')", (unsigned)length);
    if (!padded || length == 0) return cast_refused(reason);
    *template = padded;
    return TRIB_EXACT;
}

static const SqlRule rules[] = {
    INTEGER_RULES(TRIB_FN_add, "{0} + {1}", "{0} + {1}", NULL),
    INTEGER_RULES(TRIB_FN_subtract, DIFFERENCE, WIDE_DIFFERENCE, check_difference),
    INTEGER_RULES(TRIB_FN_multiply, "{0} * {1}", "{0} * {1}", NULL),
    INTEGER_RULES(TRIB_FN_negate, "{0} * -1", "{0} * -1", NULL),
    DECIMAL_RULE(TRIB_FN_add, "{0} + {1}"),
    DECIMAL_RULE(TRIB_FN_subtract, "{0} - {1}"),
    DECIMAL_RULE(TRIB_FN_multiply, "{0} * {1}"),
    NEGATION(SQL_TYPE(DECIMAL), EXACT_CLASSES),
    NEGATION(SQL_FLOATS, REAL_CLASSES),
    REAL_RULE(TRIB_FN_add, "{0} + {1}"),
    REAL_RULE(TRIB_FN_subtract, "{0} - {1}"),
    REAL_RULE(TRIB_FN_multiply, "{0} * {1}"),
    CHOICE(SQL_INTEGERS, CLASS_INT, 0),
    CHOICE(SQL_TYPE(DECIMAL), EXACT_CLASSES, CLASS_DECIMAL),
    CHOICE(SQL_TYPE(DOUBLE), CLASS_INT | CLASS_DOUBLE, CLASS_DOUBLE),
    CHOICE(SQL_TYPE(VARCHAR), CLASS_FOLDED, 0),
    CHOICE(SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), CLASS_DATE, 0),
    CHOICE(SQL_TYPE(TIMESTAMP_TZ), CLASS_INSTANT, 0),
    EXTREME(TRIB_FN_greatest, "GREATEST"),
    EXTREME(TRIB_FN_least, "LEAST"),
    INTEGER_RULES(TRIB_FN_abs, "ABS({0})", "ABS({0})", NULL),
    {.op = TRIB_FN_mod,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} % {1}",
     .check = check_remainder},
    {.op = TRIB_FN_cast,
     .first = SQL_INTEGERS,
     .result = SQL_TYPE(DECIMAL),
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "CAST",
     .check = check_digits,
     .gives = CLASS_DECIMAL},
    {.op = TRIB_FN_cast,
     .first = SQL_TYPE(CHAR),
     .result = SQL_TYPE(CHAR),
     .classes = CLASS_CHAR,
     .verdict = TRIB_EXACT,
     .template = "{0}",
     .check = check_char},
    {.op = TRIB_FN_cast,
     .first = SQL_TYPE(CHAR),
     .result = SQL_TYPE(VARCHAR),
     .classes = CLASS_CHAR,
     .verdict = TRIB_EXACT,
     .template = "{0}",
     .check = check_padded,
     .gives = CLASS_FOLDED},
    {.op = TRIB_FN_nullif,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "NULLIF({0}, {1})"},
    {.op = TRIB_FN_concat,
     .first = SQL_TYPE(VARCHAR),
     .classes = CLASS_FOLDED,
     .verdict = TRIB_EXACT,
     .template = "CONCAT({0}, {1*})"},
    {.op = TRIB_FN_cast,
     .first = SQL_INTEGERS,
     .result = SQL_TYPE(VARCHAR),
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "CAST({0} AS CHAR)",
     .gives = CLASS_FOLDED},
    {.op = TRIB_FN_not,
     .first = SQL_TYPE(BOOLEAN),
     .classes = CLASS_BOOL | CLASS_BIT,
     .verdict = TRIB_EXACT,
     .template = "{0} = 0"},
};

const SqlAssigning shippable_assigning = {
    .rules = rules,
    .nrules = COUNT_OF(rules),
    .column = computed_column,
    .store = computed_store,
};
