/*
 * shippable.c - the capability table: operator x type x class of column -> template and verdict.
 *
 * The facts behind it (each has its test against a real server):
 *  - Under most collations `=` finds more than equal text ('a' = 'A' = 'a '), but every collation finds
 *    text equal to itself. So equality is sent twice: plainly, which uses the column's index, and on the
 *    bytes of the text as UTF-8, which is exact. Ranges and order have no such companion; they are sent on
 *    the bytes alone (the order of UTF-8 bytes is the order of code points).
 *  - Text that a column's character set cannot hold equals nothing in it, and as a parameter it would be
 *    error 1267: it is not sent, the condition is FALSE (NULL for NULL).
 *  - CHAR(n) compares blank-padded here. utf8mb4_bin pads and orders by code point: exactly that.
 *  - LIKE ignores padding, but an index does not: `c LIKE 'a%'` becomes the range from 'a' on, and under
 *    PAD SPACE collations 'a\t' lies below 'a', so that the index loses it. Only NO PAD columns get a plain
 *    LIKE; the others a converted one, which no index serves. Patterns come rewritten for the escape
 *    character '!', since '' is an error under NO_BACKSLASH_ESCAPES.
 *  - A sort looks at max_sort_length bytes only: order and grouping need values that fit. Its keys are
 *    filled up with zero bytes, so that under NO PAD collations 'a' and 'a\0' are alike to it, though
 *    they compare as different: only binary strings, whose length is part of the key, sort exactly.
 *  - BETWEEN goes as two comparisons: `d NOT BETWEEN a AND NULL` over decimals is NULL there even where
 *    d < a, and `c BETWEEN 'A' AND 'a'` is taken for an equality, since the connection's collation holds
 *    the two bounds for equal.
 *  - So does IS [NOT] DISTINCT FROM a value: after `u <=> 18446744073709551615` the optimiser puts the value
 *    in the place of u elsewhere, cut to a signed number. `=` does not go wrong there.
 *  - `c IS NULL` is TRUE of a zero date in a column that is NOT NULL; `c <=> NULL` is not.
 *  - Dates that are none (0000-00-00, 2024-02-30) read as NULL here, but compare as values there: a
 *    guard leaves them out. Where they are errors nothing over them is better than SUPERSET but equality.
 *  - YEAR columns turn two-digit numbers into years when compared: a sum takes that away.
 *  - FLOAT: no equality (a stored 0.1 is not what any decimal text says); its ranges are exact.
 */
#include "connectors/mysql/shippable.h"

#include <math.h>

#include "connectors/mysql/connection.h"
#include "connectors/mysql/types.h"
#include "engine/base/calendar.h"

#define BYTES(hole)   "CAST(CONVERT(" hole " USING utf8mb4) AS BINARY)"
#define PADDED(hole)  "CONVERT(" hole " USING utf8mb4) COLLATE utf8mb4_bin"
#define DATE_GUARD    "DAYOFMONTH({0}) BETWEEN 1 AND DAYOFMONTH(LAST_DAY({0}))"
#define INSTANT_GUARD "{0} >= '1970-01-01 00:00:00'"

static const char REASON_LENGTH[] = "values may be longer than the server sorts by";
static const char REASON_YEAR[] = "a year beyond 0 to 9999";
static const char REASON_COLLATION[] = "order of the column's collation";

/* ---------------------------------------------------------------- facts */

static ColumnFacts facts_of(const SqlRender *render, const TribNode *node) {
    ColumnFacts facts = {.class = CLASS_OTHER, .repertoire = REPERTOIRE_UNKNOWN};
    const TribColumn *column = sql_column(render, node);
    if (column && column->facts) facts_parse(column->facts, &facts);
    return facts;
}

static Status dialect_column(const void *context, Arena *arena, const TribTable *table,
                             const TribColumn *column, SqlColumn *out, Error *err) {
    ColumnFacts facts = {.class = CLASS_OTHER};
    if (column->facts) facts_parse(column->facts, &facts);
    out->class = facts.class;
    switch (facts.class) {
    case CLASS_DATE: out->guard = DATE_GUARD; break;
    case CLASS_INSTANT: out->guard = INSTANT_GUARD; break;
    case CLASS_DATE_STRICT:
        out->cap = TRIB_SUPERSET;
        out->reason = "may hold dates that are none, which are errors (zero_dates=error)";
        break;
    default: break;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- values */

static const char *unbindable(const void *context, const TribValue *value) {
    if (value->is_null) return NULL;
    switch (value->type.id) {
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        return isfinite(value->as.real) ? NULL : "the source has no NaN and no Infinity";
    case TRIB_TYPE_DATE: {
        CivilDate date = date_to_civil((int32_t)value->as.integer);
        return date.year >= 0 && date.year <= 9999 ? NULL : REASON_YEAR;
    }
    case TRIB_TYPE_TIMESTAMP:
    case TRIB_TYPE_TIMESTAMP_TZ: {
        bool wide = value->type.id == TRIB_TYPE_TIMESTAMP_TZ || value->type.precision > 6;
        int64_t us = wide ? value->as.instant.us : value->as.integer;
        if (wide && value->as.instant.ns != 0) return "finer than a microsecond";
        int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
        if (days < INT32_MIN || days > INT32_MAX) return REASON_YEAR;
        CivilDate date = date_to_civil((int32_t)days);
        return date.year >= 0 && date.year <= 9999 ? NULL : REASON_YEAR;
    }
    case TRIB_TYPE_TIME: return value->as.integer % 1000 == 0 ? NULL : "finer than a microsecond";
    case TRIB_TYPE_INTERVAL_DS: {
        const int64_t most = INT64_C(839) * 3600 * US_PER_SECOND;
        return value->as.integer > -most && value->as.integer < most
                   ? NULL
                   : "beyond the source's range of TIME";
    }
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
        return utf8_valid(value->as.text.data, value->as.text.length) ? NULL
                                                                      : "text that is not UTF-8";
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DECIMAL:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_UUID: return NULL;
    default: return "a type that the source does not have";
    }
}

/* Slots get their values when the scan opens: only types of which every value can be sent. */
static const char *slot_refused(const void *context, TribType type) {
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_DECIMAL:
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARBINARY:
    case TRIB_TYPE_UUID: return NULL;
    default: return "depends on the value of a parameter";
    }
}

/* ---------------------------------------------------------------- checks */

/* Of a text literal: 1 the column's set holds it, 0 it does not, -1 unknown or no literal. */
static int literal_fits(const SqlRender *render, const TribNode *call, uint32_t index,
                        Repertoire repertoire) {
    const TribValue *value = sql_literal(render, sql_argument(render, call, index));
    if (!value) return -1;
    if (value->is_null) return 1;
    return repertoire_holds(repertoire, value->as.text.data, value->as.text.length);
}

#define BETWEEN "({0} >= {1} AND {0} <= {2})"

static const char EQUAL_BYTES[] = BYTES("{0}") " = " BYTES("{1}");
static const char EQUAL_NEVER[] = "{0} IS NULL AND NULL";
static const char IN_BYTES[] = BYTES("{0}") " IN ({1*|" BYTES("%") "})";

/* Equality of text: sargable where the literal is one of the column's set. */
static TribVerdictKind check_text_equal(const SqlRender *render, const TribNode *call,
                                        const char **template, const char **reason) {
    ColumnFacts facts = facts_of(render, sql_argument(render, call, 0));
    int fits = literal_fits(render, call, 1, facts.repertoire);
    if (fits == 0) *template = EQUAL_NEVER;
    if (fits < 0) *template = EQUAL_BYTES;
    return TRIB_EXACT;
}

static TribVerdictKind check_text_in(const SqlRender *render, const TribNode *call,
                                     const char **template, const char **reason) {
    ColumnFacts facts = facts_of(render, sql_argument(render, call, 0));
    for (uint32_t i = 1; i < call->count; i++) {
        if (literal_fits(render, call, i, facts.repertoire) != 1) {
            *template = IN_BYTES;
            break;
        }
    }
    return TRIB_EXACT;
}

/*
 * The plain ranges of exact collations need values of the column's set too; else the form on bytes takes
 * their place. The form is found by the template, not by the call's operator: under a NOT the rule is
 * that of the opposite operator.
 */
static TribVerdictKind check_text_range(const SqlRender *render, const TribNode *call,
                                        const char **template, const char **reason) {
    ColumnFacts facts = facts_of(render, sql_argument(render, call, 0));
    static const struct {
        const char *plain, *bytes;
    } forms[] = {
        {"{0} < {1}", BYTES("{0}") " < " BYTES("{1}")},
        {"{0} <= {1}", BYTES("{0}") " <= " BYTES("{1}")},
        {"{0} > {1}", BYTES("{0}") " > " BYTES("{1}")},
        {"{0} >= {1}", BYTES("{0}") " >= " BYTES("{1}")},
        {BETWEEN,
         "(" BYTES("{0}") " >= " BYTES("{1}") " AND " BYTES("{0}") " <= " BYTES("{2}") ")"},
    };
    bool fits = true;
    for (uint32_t i = 1; i < call->count; i++)
        fits &= literal_fits(render, call, i, facts.repertoire) == 1;
    if (fits) return TRIB_EXACT;
    for (size_t f = 0; f < COUNT_OF(forms); f++) {
        if (strcmp(*template, forms[f].plain) != 0) continue;
        *template = forms[f].bytes;
        return TRIB_EXACT;
    }
    *reason = "a value that the column's character set may not hold";
    return TRIB_NONE;
}

/* A plain LIKE converts the pattern to the column's set. */
static TribVerdictKind check_like(const SqlRender *render, const TribNode *call,
                                  const char **template, const char **reason) {
    ColumnFacts facts = facts_of(render, sql_argument(render, call, 0));
    if (facts.repertoire != REPERTOIRE_ALL &&
        literal_fits(render, call, 1, facts.repertoire) != 1) {
        *reason = "a pattern that the column's character set may not hold";
        return TRIB_NONE;
    }
    return TRIB_EXACT;
}

static TribVerdictKind check_sort_length(const SqlRender *render, const TribNode *call,
                                         const char **template, const char **reason) {
    const TribNode *key = call->kind == TRIB_NODE_AGGREGATE ? sql_argument(render, call, 0) : call;
    ColumnFacts facts = facts_of(render, key);
    if (facts.octets > 0 && facts.octets <= SORT_KEY_BYTES) return TRIB_EXACT;
    *reason = REASON_LENGTH;
    return TRIB_NONE;
}

/* Is the second argument a value? Its template then, by whether that is NULL. Columns keep `<=>`. */
static TribVerdictKind distinct_form(const SqlRender *render, const TribNode *call,
                                     const char *of_null, const char *of_value,
                                     const char **template, const char **reason) {
    const TribNode *node = sql_argument(render, call, 1);
    const TribValue *value = sql_literal(render, node);
    if (value) {
        *template = value->is_null ? of_null : of_value;
        return TRIB_EXACT;
    }
    if (sql_column(render, node) && sql_column(render, sql_argument(render, call, 0)))
        return TRIB_EXACT;
    *reason = "depends on the value of a parameter";
    return TRIB_NONE;
}

static TribVerdictKind check_distinct(const SqlRender *render, const TribNode *call,
                                      const char **template, const char **reason) {
    return distinct_form(render, call, "{0} IS NOT NULL", "({0} <> {1} OR {0} IS NULL)", template,
                         reason);
}

static TribVerdictKind check_not_distinct(const SqlRender *render, const TribNode *call,
                                          const char **template, const char **reason) {
    return distinct_form(render, call, "{0} IS NULL", "({0} = {1} AND {0} IS NOT NULL)", template,
                         reason);
}

/* IS NULL looks at what is stored: expressions may make NULL of it in other ways. */
static TribVerdictKind check_is_column(const SqlRender *render, const TribNode *call,
                                       const char **template, const char **reason) {
    const TribNode *argument = sql_argument(render, call, 0);
    if (sql_column(render, argument)) return TRIB_EXACT;
    *reason = "not a column";
    return TRIB_NONE;
}

/* Division here and there agree for divisors other than 0 (NULL there) and -1 (overflow here). */
static TribVerdictKind check_divisor(const SqlRender *render, const TribNode *call,
                                     const char **template, const char **reason) {
    const TribValue *divisor = sql_literal(render, sql_argument(render, call, 1));
    if (divisor && !divisor->is_null && divisor->as.integer != 0 && divisor->as.integer != -1)
        return TRIB_EXACT;
    *reason = "the divisor is not a known constant";
    return TRIB_NONE;
}

/* Integers are sent as they are where a decimal is wanted: two of them would be summed up in 64 bits. */
static bool from_integer(const SqlRender *render, const TribNode *node) {
    while (node->kind == TRIB_NODE_CALL && node->op == TRIB_FN_cast)
        node = sql_argument(render, node, 0);
    return node->type.id >= TRIB_TYPE_TINYINT && node->type.id <= TRIB_TYPE_BIGINT;
}

/* The server keeps 30 digits after the point (MariaDB 38). */
static TribVerdictKind check_decimals(const SqlRender *render, const TribNode *call,
                                      const char **template, const char **reason) {
    bool integers = from_integer(render, sql_argument(render, call, 0)) &&
                    from_integer(render, sql_argument(render, call, 1));
    if (call->type.scale <= 30 && !integers) return TRIB_EXACT;
    *reason = integers ? "the source computes integers in 64 bits"
                       : "more digits after the point than the source computes";
    return TRIB_NONE;
}

/* Integers that fit the decimal, so that the cast neither raises nor rounds. */
static TribVerdictKind check_integer_digits(const SqlRender *render, const TribNode *call,
                                            const char **template, const char **reason) {
    static const uint8_t digits[] = {[TRIB_TYPE_TINYINT] = 3,
                                     [TRIB_TYPE_SMALLINT] = 5,
                                     [TRIB_TYPE_INTEGER] = 10,
                                     [TRIB_TYPE_BIGINT] = 19};
    const TribNode *argument = sql_argument(render, call, 0);
    if (argument && argument->type.id < COUNT_OF(digits) &&
        call->type.precision - call->type.scale >= digits[argument->type.id]) {
        return TRIB_EXACT;
    }
    *reason = "the cast may raise";
    return TRIB_NONE;
}

static TribVerdictKind check_count(const SqlRender *render, const TribNode *call,
                                   const char **template, const char **reason) {
    if (call->count == 0) *template = "COUNT(*)";
    return TRIB_EXACT;
}

/* ---------------------------------------------------------------- rules */

#define TEXT_TYPES    SQL_TYPE(VARCHAR)
#define DATE_TYPES    (SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP) | SQL_TYPE(TIMESTAMP_TZ))
#define DATE_CLASSES  (CLASS_DATE | CLASS_INSTANT | CLASS_DATE_STRICT)
#define EXACT_NUMBERS (SQL_INTEGERS | SQL_TYPE(DECIMAL))

#define RULE(op_, types, classes_, template_)                                        \
    {                                                                                \
        .op = (op_), .first = (types), .classes = (classes_), .verdict = TRIB_EXACT, \
        .template = (template_)                                                      \
    }
#define RULE_CHECK(op_, types, classes_, template_, check_)                          \
    {                                                                                \
        .op = (op_), .first = (types), .classes = (classes_), .verdict = TRIB_EXACT, \
        .template = (template_), .check = (check_)                                   \
    }
#define RULE_NONE(op_, types, classes_, reason_)                                    \
    {                                                                               \
        .op = (op_), .first = (types), .classes = (classes_), .verdict = TRIB_NONE, \
        .reason = (reason_)                                                         \
    }

/* The six comparisons and BETWEEN around one form of the arguments. */
#define RANGES(types, classes, F)                                                \
    RULE(TRIB_FN_lt, types, classes, F("{0}") " < " F("{1}")),                   \
        RULE(TRIB_FN_le, types, classes, F("{0}") " <= " F("{1}")),              \
        RULE(TRIB_FN_gt, types, classes, F("{0}") " > " F("{1}")),               \
        RULE(TRIB_FN_ge, types, classes, F("{0}") " >= " F("{1}")),              \
        RULE(TRIB_FN_between, types, classes,                                    \
             "(" F("{0}") " >= " F("{1}") " AND " F("{0}") " <= " F("{2}") ")"), \
        RULE(SQL_OP_NOT_BETWEEN, types, classes,                                 \
             "(" F("{0}") " < " F("{1}") " OR " F("{0}") " > " F("{2}") ")")
#define PLAIN(hole) hole
#define COMPARISONS(types, classes)                                                                \
    RULE(TRIB_FN_eq, types, classes, "{0} = {1}"), RULE(TRIB_FN_ne, types, classes, "{0} <> {1}"), \
        RULE(TRIB_FN_in, types, classes, "{0} IN ({1*})"),                                         \
        RULE(SQL_OP_NOT_IN, types, classes, "{0} NOT IN ({1*})"), RANGES(types, classes, PLAIN)
#define TEXT_INEQUALITIES(types, classes)                               \
    RULE(TRIB_FN_ne, types, classes, BYTES("{0}") " <> " BYTES("{1}")), \
        RULE(SQL_OP_NOT_IN, types, classes, BYTES("{0}") " NOT IN ({1*|" BYTES("%") "})")
#define KEY(types, classes, template) \
    RULE(SQL_OP_ORDER, types, classes, template), RULE(SQL_OP_GROUP, types, classes, template)
#define KEY_CHECK(types, classes, template, check)             \
    RULE_CHECK(SQL_OP_ORDER, types, classes, template, check), \
        RULE_CHECK(SQL_OP_GROUP, types, classes, template, check)
#define PART(op_, types, template_)                                               \
    {                                                                             \
        .op = (op_), .first = (types), .classes = CLASS_DATE | CLASS_DATE_STRICT, \
        .verdict = TRIB_EXACT, .template = (template_), .gives = CLASS_INT        \
    }

static const SqlRule rules[] = {
    /* Numbers. */
    COMPARISONS(EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL),
    COMPARISONS(SQL_TYPE(DOUBLE), CLASS_DOUBLE),
    RULE(TRIB_FN_eq, SQL_INTEGERS, CLASS_YEAR, "{0} + 0 = {1}"),
    RULE(TRIB_FN_ne, SQL_INTEGERS, CLASS_YEAR, "{0} + 0 <> {1}"),
    RULE(TRIB_FN_in, SQL_INTEGERS, CLASS_YEAR, "{0} + 0 IN ({1*})"),
    RULE(SQL_OP_NOT_IN, SQL_INTEGERS, CLASS_YEAR, "{0} + 0 NOT IN ({1*})"),
#define SUM_ZERO(hole) "(" hole " + 0)"
    RANGES(SQL_INTEGERS, CLASS_YEAR, SUM_ZERO),
    RANGES(SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, PLAIN),
    RULE_NONE(TRIB_FN_eq, SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, "equality of FLOAT"),
    RULE_NONE(TRIB_FN_ne, SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, "equality of FLOAT"),
    RULE_NONE(TRIB_FN_in, SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, "equality of FLOAT"),
    RULE_NONE(SQL_OP_NOT_IN, SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, "equality of FLOAT"),
    RULE_CHECK(TRIB_FN_is_distinct_from, EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL,
               "NOT ({0} <=> {1})", check_distinct),
    RULE_CHECK(SQL_OP_IS_NOT_DISTINCT, EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL,
               "{0} <=> {1}", check_not_distinct),

    /* Booleans. */
    RULE(SQL_OP_TRUE, SQL_TYPE(BOOLEAN), CLASS_BOOL | CLASS_BIT, "{0} <> 0"),
    RULE(SQL_OP_FALSE, SQL_TYPE(BOOLEAN), CLASS_BOOL | CLASS_BIT, "{0} = 0"),
    RULE(TRIB_FN_eq, SQL_TYPE(BOOLEAN), CLASS_BOOL | CLASS_BIT, "({0} <> 0) = ({1} <> 0)"),
    RULE(TRIB_FN_ne, SQL_TYPE(BOOLEAN), CLASS_BOOL | CLASS_BIT, "({0} <> 0) <> ({1} <> 0)"),

    /* Bytes. */
    COMPARISONS(SQL_TYPE(VARBINARY), CLASS_BINARY),

    /* Text. */
    RULE_CHECK(TRIB_FN_eq, TEXT_TYPES, CLASS_EXACT, "{0} = {1}", check_text_equal),
    RULE_CHECK(TRIB_FN_in, TEXT_TYPES, CLASS_EXACT, "{0} IN ({1*})", check_text_in),
    RULE_CHECK(TRIB_FN_lt, TEXT_TYPES, CLASS_EXACT, "{0} < {1}", check_text_range),
    RULE_CHECK(TRIB_FN_le, TEXT_TYPES, CLASS_EXACT, "{0} <= {1}", check_text_range),
    RULE_CHECK(TRIB_FN_gt, TEXT_TYPES, CLASS_EXACT, "{0} > {1}", check_text_range),
    RULE_CHECK(TRIB_FN_ge, TEXT_TYPES, CLASS_EXACT, "{0} >= {1}", check_text_range),
    RULE_CHECK(TRIB_FN_between, TEXT_TYPES, CLASS_EXACT, BETWEEN, check_text_range),
    RULE_CHECK(TRIB_FN_like, TEXT_TYPES, CLASS_EXACT, "{0} LIKE {pattern} ESCAPE '!'", check_like),
    RULE_CHECK(SQL_OP_NOT_LIKE, TEXT_TYPES, CLASS_EXACT, "{0} NOT LIKE {pattern} ESCAPE '!'",
               check_like),
    RULE_CHECK(TRIB_FN_eq, TEXT_TYPES, CLASS_PADDED | CLASS_FOLDED,
               "{0} = {1} AND " BYTES("{0}") " = " BYTES("{1}"), check_text_equal),
    RULE_CHECK(TRIB_FN_in, TEXT_TYPES, CLASS_PADDED | CLASS_FOLDED,
               "{0} IN ({1*}) AND " BYTES("{0}") " IN ({1*|" BYTES("%") "})", check_text_in),
    RULE(TRIB_FN_eq, TEXT_TYPES, CLASS_TEXT | CLASS_ENUM, BYTES("{0}") " = " BYTES("{1}")),
    RULE(TRIB_FN_in, TEXT_TYPES, CLASS_TEXT | CLASS_ENUM, BYTES("{0}") " IN ({1*|" BYTES("%") "})"),
    TEXT_INEQUALITIES(TEXT_TYPES, CLASS_TEXT | CLASS_ENUM),
    RANGES(TEXT_TYPES, CLASS_TEXT | CLASS_ENUM, BYTES),
    RULE(TRIB_FN_like, TEXT_TYPES, CLASS_PADDED | CLASS_FOLDED | CLASS_ENUM,
         PADDED("{0}") " LIKE {pattern} ESCAPE '!'"),
    RULE(SQL_OP_NOT_LIKE, TEXT_TYPES, CLASS_PADDED | CLASS_FOLDED | CLASS_ENUM,
         PADDED("{0}") " NOT LIKE {pattern} ESCAPE '!'"),
    {.op = TRIB_FN_length,
     .first = TEXT_TYPES,
     .classes = CLASS_TEXT,
     .verdict = TRIB_EXACT,
     .template = "CHAR_LENGTH({0})",
     .gives = CLASS_INT},

    /* CHAR(n): padded. */
    RULE_CHECK(TRIB_FN_eq, SQL_TYPE(CHAR), CLASS_CHAR,
               "{0} = {1} AND " PADDED("{0}") " = " PADDED("{1}"), check_text_equal),
    RULE_CHECK(TRIB_FN_in, SQL_TYPE(CHAR), CLASS_CHAR,
               "{0} IN ({1*}) AND " BYTES("{0}") " IN ({1*|" BYTES("%") "})", check_text_in),
    RULE(TRIB_FN_ne, SQL_TYPE(CHAR), CLASS_CHAR, PADDED("{0}") " <> " PADDED("{1}")),
    RULE(SQL_OP_NOT_IN, SQL_TYPE(CHAR), CLASS_CHAR, BYTES("{0}") " NOT IN ({1*|" BYTES("%") "})"),
    RANGES(SQL_TYPE(CHAR), CLASS_CHAR, PADDED),

    /* Dates and times. */
    COMPARISONS(DATE_TYPES, DATE_CLASSES),
    COMPARISONS(SQL_TYPE(INTERVAL_DS) | SQL_TYPE(TIME), CLASS_TIME),
    PART(TRIB_FN_year, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "YEAR({0})"),
    PART(TRIB_FN_quarter, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "QUARTER({0})"),
    PART(TRIB_FN_month, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "MONTH({0})"),
    PART(TRIB_FN_day, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "DAYOFMONTH({0})"),
    PART(TRIB_FN_day_of_week, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "WEEKDAY({0}) + 1"),
    PART(TRIB_FN_day_of_year, SQL_TYPE(DATE) | SQL_TYPE(TIMESTAMP), "DAYOFYEAR({0})"),
    PART(TRIB_FN_hour, SQL_TYPE(TIMESTAMP), "HOUR({0})"),
    PART(TRIB_FN_minute, SQL_TYPE(TIMESTAMP), "MINUTE({0})"),
    PART(TRIB_FN_second, SQL_TYPE(TIMESTAMP), "SECOND({0})"),

    /* UUIDs. */
    RULE(TRIB_FN_eq, SQL_TYPE(UUID), CLASS_UUID, "{0} = {1}"),
    RULE(TRIB_FN_ne, SQL_TYPE(UUID), CLASS_UUID, "{0} <> {1}"),
    RULE(TRIB_FN_in, SQL_TYPE(UUID), CLASS_UUID, "{0} IN ({1*})"),

    /* NULL. */
    {.op = TRIB_FN_is_null,
     .flags = SQL_NO_GUARD,
     .first = DATE_TYPES,
     .classes = CLASS_DATE,
     .verdict = TRIB_EXACT,
     .template = "(" DATE_GUARD ") IS NOT TRUE",
     .check = check_is_column},
    {.op = TRIB_FN_is_not_null,
     .flags = SQL_NO_GUARD,
     .first = DATE_TYPES,
     .classes = CLASS_DATE,
     .verdict = TRIB_EXACT,
     .template = "(" DATE_GUARD ") IS TRUE",
     .check = check_is_column},
    {.op = TRIB_FN_is_null,
     .flags = SQL_NO_GUARD,
     .first = DATE_TYPES,
     .classes = CLASS_INSTANT,
     .verdict = TRIB_EXACT,
     .template = "(" INSTANT_GUARD ") IS NOT TRUE",
     .check = check_is_column},
    {.op = TRIB_FN_is_not_null,
     .flags = SQL_NO_GUARD,
     .first = DATE_TYPES,
     .classes = CLASS_INSTANT,
     .verdict = TRIB_EXACT,
     .template = "(" INSTANT_GUARD ") IS TRUE",
     .check = check_is_column},
    RULE_NONE(TRIB_FN_is_null, DATE_TYPES, CLASS_DATE_STRICT, "may hold dates that are none"),
    RULE_CHECK(TRIB_FN_is_null, SQL_ANY_TYPE, CLASS_DATE_TEXT, "{0} <=> NULL", check_is_column),
    RULE_CHECK(TRIB_FN_is_null, SQL_ANY_TYPE, ~(uint32_t)DATE_CLASSES, "{0} IS NULL",
               check_is_column),
    RULE_CHECK(TRIB_FN_is_not_null, SQL_ANY_TYPE, SQL_ANY_CLASS, "{0} IS NOT NULL",
               check_is_column),

    /* Casts that keep every value. */
    {.op = TRIB_FN_cast,
     .first = SQL_TYPE(REAL),
     .result = SQL_TYPE(DOUBLE),
     .classes = CLASS_FLOAT,
     .verdict = TRIB_EXACT,
     .template = "{0}"},
    {.op = TRIB_FN_cast,
     .first = SQL_TYPE(TINYINT) | SQL_TYPE(SMALLINT) | SQL_TYPE(INTEGER),
     .result = SQL_TYPE(DOUBLE),
     .classes = CLASS_INT | CLASS_UINT,
     .verdict = TRIB_EXACT,
     .template = "{0}",
     .gives = CLASS_DOUBLE},
    {.op = TRIB_FN_cast,
     .first = SQL_INTEGERS,
     .result = SQL_TYPE(DECIMAL),
     .classes = CLASS_INT | CLASS_UINT,
     .verdict = TRIB_EXACT,
     .template = "{0}",
     .check = check_integer_digits,
     .gives = CLASS_DECIMAL},
    {.op = TRIB_FN_cast,
     .first = SQL_TYPE(DATE),
     .result = SQL_TYPE(TIMESTAMP),
     .classes = CLASS_DATE | CLASS_DATE_STRICT,
     .verdict = TRIB_EXACT,
     .template = "{0}"},

    /* Arithmetic that the engine has proved not to raise. */
    {.op = TRIB_FN_add,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} + {1}"},
    {.op = TRIB_FN_subtract,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} - {1}"},
    {.op = TRIB_FN_multiply,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} * {1}"},
    {.op = TRIB_FN_divide,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} DIV {1}",
     .check = check_divisor},
    {.op = TRIB_FN_modulus,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "{0} % {1}",
     .check = check_divisor},
    {.op = TRIB_FN_negate,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "- {0}"},
    {.op = TRIB_FN_abs,
     .first = SQL_INTEGERS,
     .classes = CLASS_INT,
     .verdict = TRIB_EXACT,
     .template = "ABS({0})"},
    {.op = TRIB_FN_add,
     .first = SQL_TYPE(DECIMAL),
     .classes = CLASS_DECIMAL,
     .verdict = TRIB_EXACT,
     .template = "{0} + {1}",
     .check = check_decimals},
    {.op = TRIB_FN_subtract,
     .first = SQL_TYPE(DECIMAL),
     .classes = CLASS_DECIMAL,
     .verdict = TRIB_EXACT,
     .template = "{0} - {1}",
     .check = check_decimals},
    {.op = TRIB_FN_multiply,
     .first = SQL_TYPE(DECIMAL),
     .classes = CLASS_DECIMAL,
     .verdict = TRIB_EXACT,
     .template = "{0} * {1}",
     .check = check_decimals},

    /* Keys of sorting and grouping. */
    KEY(EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL | CLASS_YEAR, "{0}"),
    RULE(SQL_OP_ORDER, SQL_FLOATS, CLASS_FLOAT | CLASS_DOUBLE, "{0}"),
    KEY(SQL_TYPE(BOOLEAN), CLASS_BOOL | CLASS_BIT, "{0} <> 0"),
    KEY(DATE_TYPES, CLASS_DATE, "(CASE WHEN " DATE_GUARD " THEN {0} END)"),
    KEY(DATE_TYPES, CLASS_INSTANT, "(CASE WHEN " INSTANT_GUARD " THEN {0} END)"),
    KEY(SQL_TYPE(INTERVAL_DS) | SQL_TYPE(TIME), CLASS_TIME, "{0}"),
    KEY_CHECK(SQL_TYPE(VARBINARY), CLASS_BINARY, "{0}", check_sort_length),
    KEY_CHECK(TEXT_TYPES, CLASS_TEXT | CLASS_ENUM, BYTES("{0}"), check_sort_length),
    RULE_CHECK(SQL_OP_ORDER, SQL_TYPE(CHAR), CLASS_CHAR, PADDED("{0}"), check_sort_length),
    RULE_CHECK(SQL_OP_GROUP, SQL_TYPE(CHAR), CLASS_CHAR, BYTES("{0}"), check_sort_length),
    RULE_NONE(SQL_OP_ORDER, SQL_ANY_TYPE, SQL_ANY_CLASS, REASON_COLLATION),

    /* Aggregates. */
    RULE_CHECK(TRIB_AGG_count, SQL_ANY_TYPE, ~(uint32_t)DATE_CLASSES, "COUNT({0})", check_count),
    RULE(TRIB_AGG_count, DATE_TYPES, CLASS_DATE, "COUNT(CASE WHEN " DATE_GUARD " THEN 1 END)"),
    RULE(TRIB_AGG_count, DATE_TYPES, CLASS_INSTANT,
         "COUNT(CASE WHEN " INSTANT_GUARD " THEN 1 END)"),
    RULE(TRIB_AGG_min, EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL, "MIN({0})"),
    RULE(TRIB_AGG_max, EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL, "MAX({0})"),
    RULE(TRIB_AGG_sum, EXACT_NUMBERS, CLASS_INT | CLASS_UINT | CLASS_DECIMAL, "SUM({0})"),
    RULE(TRIB_AGG_min, DATE_TYPES, CLASS_DATE, "MIN(CASE WHEN " DATE_GUARD " THEN {0} END)"),
    RULE(TRIB_AGG_max, DATE_TYPES, CLASS_DATE, "MAX(CASE WHEN " DATE_GUARD " THEN {0} END)"),
    RULE(TRIB_AGG_min, DATE_TYPES, CLASS_INSTANT, "MIN(CASE WHEN " INSTANT_GUARD " THEN {0} END)"),
    RULE(TRIB_AGG_max, DATE_TYPES, CLASS_INSTANT, "MAX(CASE WHEN " INSTANT_GUARD " THEN {0} END)"),
    RULE(TRIB_AGG_min, TEXT_TYPES, CLASS_TEXT, "MIN(" BYTES("{0}") ")"),
    RULE(TRIB_AGG_max, TEXT_TYPES, CLASS_TEXT, "MAX(" BYTES("{0}") ")"),
    {.op = TRIB_AGG_count,
     .flags = SQL_DISTINCT,
     .first = EXACT_NUMBERS,
     .classes = CLASS_INT | CLASS_UINT | CLASS_DECIMAL,
     .verdict = TRIB_EXACT,
     .template = "COUNT(DISTINCT {0})"},
    {.op = TRIB_AGG_count,
     .flags = SQL_DISTINCT,
     .first = TEXT_TYPES,
     .classes = CLASS_TEXT,
     .verdict = TRIB_EXACT,
     .template = "COUNT(DISTINCT " BYTES("{0}") ")",
     .check = check_sort_length},
};

/* A statement that is passed on stands in parentheses; a line ends it, for it may end in a comment. */
static void dialect_table(const void *context, Buf *out, const TribTable *table) {
    if (table->facts && strcmp(table->facts, MYSQL_QUERY_FACTS) == 0) {
        buf_char(out, '(');
        buf_text(out, table->name);
        buf_text(out, "\n) AS statement");
        return;
    }
    quote_identifier(out, str_from(table->schema));
    buf_char(out, '.');
    quote_identifier(out, str_from(table->name));
}

const SqlDialect shippable_dialect = {
    .name = "mysql",
    .quote = quote_identifier,
    .table = dialect_table,
    .column = dialect_column,
    .unbindable = unbindable,
    .slot_refused = slot_refused,
    .rules = rules,
    .nrules = COUNT_OF(rules),
    .like_escape = '!',
    .nulls = SQL_NULLS_SMALLEST,
    .max_params = SHIPPABLE_PARAMS,
    /* Conditions and a few runtime filters together stay below the smallest usual max_allowed_packet, 4 MiB. */
    .max_param_bytes = 512 * 1024,
    .max_text = 4 * 1024 * 1024,
    .max_depth = 100,
    .true_text = "1 = 1",
    .false_text = "1 = 0",
    .assigning = &shippable_assigning,
};
