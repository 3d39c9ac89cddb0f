/*
 * shippable.c - what may run in SQLite, and how it is spelled: the dialect.
 *
 * Facts that the rules rest on (SQLite documentation, "Datatypes In SQLite" and "Expressions"):
 * - BINARY compares UTF-8 text with memcmp over its whole length, embedded NULs included: code-point
 *   order. NOCASE and RTRIM are reflexive, so equality under them is a superset of bytewise equality
 *   and uses the column's index; COLLATE BINARY beside it makes it exact. A UTF-16 database orders by
 *   code unit, so its text is compared here.
 * - Integers compare with reals by exact value, not by conversion.
 * - Types are enforced in STRICT tables and for the rowid only. Every other column has the cap SUPERSET
 *   and the guard typeof(c) IN (...), unless the catalog says declared_exact: storage classes order
 *   before values, and any text is greater than any number.
 * - LIKE folds case. PRAGMA case_sensitive_like would change what the conditions of CHECK and of partial
 *   indexes mean, which makes files unreadable and indexes wrong: GLOB it is, with the pattern rewritten. It
 *   stops at an embedded NUL: such values are let through and looked at here.
 * - upper, lower, length and substr differ from ours (ASCII only; stop at NUL): no rules.
 * - Declared DECIMAL and DATE compare in SQLite as whatever they are stored as: only by declared_exact,
 *   and decimals only up to 15 digits, which a double holds.
 */
#include "connectors/sqlite/sqlite_internal.h"

#include <math.h>

#include "engine/base/calendar.h"

enum {
    CLASS_INTEGER = 1,
    CLASS_REAL = 2,
    CLASS_TEXT = 4,        /* collation BINARY */
    CLASS_TEXT_INDEX = 8,  /* NOCASE, RTRIM */
    CLASS_TEXT_OTHER = 16, /* a collation of the application, or not known (views) */
    CLASS_TEXT_WIDE = 32,  /* UTF-16 */
    CLASS_BLOB = 64,
    CLASS_BOOLEAN = 128,
    CLASS_ENCODED = 256, /* decimal, date: comparable if stored canonically */
    CLASS_OPAQUE = 512,

    CLASS_UTF8 = CLASS_TEXT | CLASS_TEXT_INDEX | CLASS_TEXT_OTHER
};

#define PLAIN (CLASS_INTEGER | CLASS_REAL | CLASS_TEXT | CLASS_BLOB | CLASS_BOOLEAN | CLASS_ENCODED)
#define PLAIN_TYPES                                                              \
    (SQL_INTEGERS | SQL_TYPE(DOUBLE) | SQL_TYPE(VARCHAR) | SQL_TYPE(VARBINARY) | \
     SQL_TYPE(BOOLEAN) | SQL_TYPE(DECIMAL) | SQL_TYPE(DATE))
#define LIKE_NUL "a value with an embedded NUL is checked here"

enum { LIKE_PATTERN_MAX = 50000 }; /* SQLITE_LIMIT_LIKE_PATTERN_LENGTH */

/* ---------------------------------------------------------------- checks */

static TribVerdictKind check_like(const SqlRender *render, const TribNode *call,
                                  const char **template, const char **reason) {
    const TribValue *pattern = sql_literal(render, sql_argument(render, call, 1));
    if (pattern && !pattern->is_null && pattern->as.text.length < LIKE_PATTERN_MAX / 3 &&
        !memchr(pattern->as.text.data, 0, pattern->as.text.length)) {
        return TRIB_EXACT;
    }
    *reason = "the pattern is too long for SQLite or holds a NUL";
    return TRIB_NONE;
}

/* Integer division: SQLite gives NULL for zero, and a REAL for the smallest integer by -1. */
static TribVerdictKind check_divisor(const SqlRender *render, const TribNode *call,
                                     const char **template, const char **reason) {
    const TribValue *divisor = sql_literal(render, sql_argument(render, call, 1));
    if (divisor && !divisor->is_null && divisor->as.integer != 0 && divisor->as.integer != -1)
        return TRIB_EXACT;
    *reason = "the divisor is not a constant other than 0 and -1";
    return TRIB_NONE;
}

/* A mismatched value is read as NULL under on_mismatch=null, which IS NULL in SQLite does not see. */
static TribVerdictKind check_is_null(const SqlRender *render, const TribNode *call,
                                     const char **template, const char **reason) {
    const TribCatalog *catalog = render->context;
    const TribColumn *column = sql_column(render, sql_argument(render, call, 0));
    if (!column || catalog->on_mismatch != MISMATCH_NULL || catalog->declared_exact)
        return TRIB_EXACT;
    if (lite_facts(column->facts).strict) return TRIB_EXACT;
    *reason = "on_mismatch=null: values of another type count as NULL";
    return TRIB_NONE;
}

static TribVerdictKind check_count(const SqlRender *render, const TribNode *call,
                                   const char **template, const char **reason) {
    if (call->count == 0) *template = "COUNT(*)";
    return TRIB_EXACT;
}

/* ---------------------------------------------------------------- the capability table */

#define COMPARE(op, sign)                                                                         \
    {TRIB_FN_##op, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} " sign " {1}", NULL, NULL, 0}, { \
        TRIB_FN_##op, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,                         \
            "{0} COLLATE BINARY " sign " {1}", NULL, NULL, 0                                      \
    }

#define UNPADDED(op, template) \
    { TRIB_FN_##op, 0, SQL_TYPE(CHAR), 0, 0, CLASS_TEXT, TRIB_EXACT, template, NULL, NULL, 0 }

static const SqlRule rules[] = {
    COMPARE(ne, "<>"),
    COMPARE(lt, "<"),
    COMPARE(le, "<="),
    COMPARE(gt, ">"),
    COMPARE(ge, ">="),
    {TRIB_FN_eq, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} = {1}", NULL, NULL, 0},
    {TRIB_FN_eq, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_TEXT_INDEX, TRIB_EXACT,
     "{0} = {1} AND {0} COLLATE BINARY = {1}", NULL, NULL, 0},
    {TRIB_FN_eq, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT, "{0} COLLATE BINARY = {1}",
     NULL, NULL, 0},
    {TRIB_FN_in, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} IN ({1*})", NULL, NULL, 0},
    {TRIB_FN_in, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_TEXT_INDEX, TRIB_EXACT,
     "{0} IN ({1*}) AND {0} COLLATE BINARY IN ({1*})", NULL, NULL, 0},
    {TRIB_FN_in, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT, "{0} COLLATE BINARY IN ({1*})",
     NULL, NULL, 0},
    {SQL_OP_NOT_IN, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} NOT IN ({1*})", NULL, NULL, 0},
    {SQL_OP_NOT_IN, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,
     "{0} COLLATE BINARY NOT IN ({1*})", NULL, NULL, 0},
    {TRIB_FN_between, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} BETWEEN {1} AND {2}", NULL,
     NULL, 0},
    {TRIB_FN_between, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,
     "{0} COLLATE BINARY BETWEEN {1} AND {2}", NULL, NULL, 0},
    {SQL_OP_NOT_BETWEEN, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} NOT BETWEEN {1} AND {2}",
     NULL, NULL, 0},
    {SQL_OP_NOT_BETWEEN, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,
     "{0} COLLATE BINARY NOT BETWEEN {1} AND {2}", NULL, NULL, 0},
    {TRIB_FN_is_distinct_from, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} IS NOT {1}", NULL,
     NULL, 0},
    {TRIB_FN_is_distinct_from, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,
     "{0} COLLATE BINARY IS NOT {1}", NULL, NULL, 0},
    {SQL_OP_IS_NOT_DISTINCT, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0} IS {1}", NULL, NULL, 0},
    {SQL_OP_IS_NOT_DISTINCT, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT,
     "{0} COLLATE BINARY IS {1}", NULL, NULL, 0},
    /* char(n) is stored without the blanks that pad it: equal texts are equal values. What lies before a blank would be
     * ordered otherwise. */
    UNPADDED(eq, "{0} = {1}"),
    UNPADDED(ne, "{0} <> {1}"),
    UNPADDED(in, "{0} IN ({1*})"),
    UNPADDED(is_distinct_from, "{0} IS NOT {1}"),
    {SQL_OP_NOT_IN, 0, SQL_TYPE(CHAR), 0, 0, CLASS_TEXT, TRIB_EXACT, "{0} NOT IN ({1*})", NULL,
     NULL, 0},
    {SQL_OP_IS_NOT_DISTINCT, 0, SQL_TYPE(CHAR), 0, 0, CLASS_TEXT, TRIB_EXACT, "{0} IS {1}", NULL,
     NULL, 0},
    {TRIB_FN_is_null, SQL_NO_GUARD, SQL_ANY_TYPE, 0, 0, SQL_ANY_CLASS, TRIB_EXACT, "{0} IS NULL",
     NULL, check_is_null, 0},
    {TRIB_FN_is_not_null, SQL_NO_GUARD, SQL_ANY_TYPE, 0, 0, SQL_ANY_CLASS, TRIB_EXACT,
     "{0} IS NOT NULL", NULL, NULL, 0},

    {SQL_OP_TRUE, 0, SQL_TYPE(BOOLEAN), 0, 0, CLASS_BOOLEAN, TRIB_EXACT, "{0} = 1", NULL, NULL, 0},
    {SQL_OP_FALSE, 0, SQL_TYPE(BOOLEAN), 0, 0, CLASS_BOOLEAN, TRIB_EXACT, "{0} = 0", NULL, NULL, 0},

    {TRIB_FN_like, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_SUPERSET,
     "{0} GLOB {pattern} OR instr({0}, char(0))", LIKE_NUL, check_like, 0},
    {SQL_OP_NOT_LIKE, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_SUPERSET,
     "{0} NOT GLOB {pattern} OR instr({0}, char(0))", LIKE_NUL, check_like, 0},

    /* Integer arithmetic: the engine offers only what cannot overflow. */
    {TRIB_FN_add, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT, "{0} + {1}",
     NULL, NULL, 0},
    {TRIB_FN_subtract, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT,
     "{0} - {1}", NULL, NULL, 0},
    {TRIB_FN_multiply, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT,
     "{0} * {1}", NULL, NULL, 0},
    {TRIB_FN_divide, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT,
     "{0} / {1}", NULL, check_divisor, 0},
    {TRIB_FN_modulus, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT,
     "{0} % {1}", NULL, check_divisor, 0},
    {TRIB_FN_mod, SQL_STRICT, SQL_INTEGERS, 0, SQL_INTEGERS, CLASS_INTEGER, TRIB_EXACT, "{0} % {1}",
     NULL, check_divisor, 0},
    {TRIB_FN_cast, SQL_STRICT, SQL_INTEGERS, 0, SQL_TYPE(VARCHAR), CLASS_INTEGER, TRIB_EXACT,
     "CAST({0} AS TEXT)", NULL, NULL, CLASS_TEXT},

    {SQL_OP_ORDER, 0, PLAIN_TYPES, 0, 0, PLAIN, TRIB_EXACT, "{0}", NULL, NULL, 0},
    {SQL_OP_ORDER, 0, SQL_TYPE(VARCHAR), 0, 0, CLASS_UTF8, TRIB_EXACT, "{0} COLLATE BINARY", NULL,
     NULL, 0},
    {SQL_OP_GROUP, 0, SQL_INTEGERS | SQL_TYPE(VARCHAR) | SQL_TYPE(VARBINARY) | SQL_TYPE(BOOLEAN), 0,
     0, CLASS_INTEGER | CLASS_TEXT | CLASS_BLOB | CLASS_BOOLEAN, TRIB_EXACT, "{0}", NULL, NULL, 0},

    {TRIB_AGG_count, 0, SQL_ANY_TYPE, 0, 0, SQL_ANY_CLASS, TRIB_EXACT, "COUNT({0})", NULL,
     check_count, 0},
    {TRIB_AGG_count, SQL_DISTINCT, SQL_INTEGERS | SQL_TYPE(VARCHAR) | SQL_TYPE(VARBINARY), 0, 0,
     CLASS_INTEGER | CLASS_TEXT | CLASS_BLOB, TRIB_EXACT, "COUNT(DISTINCT {0})", NULL, NULL, 0},
    {TRIB_AGG_min, 0, SQL_INTEGERS | SQL_TYPE(VARCHAR), 0, 0, CLASS_INTEGER | CLASS_TEXT,
     TRIB_EXACT, "MIN({0})", NULL, NULL, 0},
    {TRIB_AGG_max, 0, SQL_INTEGERS | SQL_TYPE(VARCHAR), 0, 0, CLASS_INTEGER | CLASS_TEXT,
     TRIB_EXACT, "MAX({0})", NULL, NULL, 0},
    {TRIB_AGG_sum, 0, SQL_INTEGERS, 0, SQL_TYPE(BIGINT), CLASS_INTEGER, TRIB_EXACT, "SUM({0})",
     NULL, NULL, 0},
};

/* ---------------------------------------------------------------- hooks */

static void quote(Buf *out, Str name) {
    buf_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"') buf_char(out, '"');
        buf_char(out, name.data[i]);
    }
    buf_char(out, '"');
}

static bool is_query(const TribTable *table) {
    return table->facts && strcmp(table->facts, LITE_QUERY_FACTS) == 0;
}

static void from_table(const void *context, Buf *out, const TribTable *table) {
    if (!is_query(table)) {
        buf_text(out, "main.");
        quote(out, str_from(table->name));
        return;
    }
    Str text = str_trim(str_from(table->name));
    while (text.len && text.data[text.len - 1] == ';')
        text = str_trim((Str){text.data, text.len - 1});
    buf_text(out, "(");
    buf_str(out, text);
    buf_text(out, "\n)"); /* the text may end in a comment */
}

/* The rowid beside the outputs lets errors about a value name its row. */
static void add_rowid(const void *context, Buf *out, const TribTable *table) {
    const char *rowid = lite_rowid_name(table->facts);
    if (rowid) buf_printf(out, ", %s", rowid);
}

static uint32_t class_of(LiteFacts facts) {
    switch (facts.kind) {
    case KIND_INTEGER: return CLASS_INTEGER;
    case KIND_REAL: return CLASS_REAL;
    case KIND_BLOB: return CLASS_BLOB;
    case KIND_BOOLEAN: return CLASS_BOOLEAN;
    case KIND_TEXT:
        if (facts.utf16) return CLASS_TEXT_WIDE;
        return facts.binary ? CLASS_TEXT : facts.indexable ? CLASS_TEXT_INDEX : CLASS_TEXT_OTHER;
    default: return CLASS_OPAQUE;
    }
}

static Status describe_column(const void *context, Arena *arena, const TribTable *table,
                              const TribColumn *column, SqlColumn *out, Error *err) {
    const TribCatalog *catalog = context;
    LiteFacts facts = lite_facts(column->facts);
    out->class = class_of(facts);
    if (catalog->declared_exact) {
        bool decimal = facts.kind == KIND_DECIMAL && column->type.precision <= 15;
        if (decimal || (facts.kind == KIND_DATE && !facts.utf16)) out->class = CLASS_ENCODED;
    } else if (!facts.strict) {
        out->cap = TRIB_SUPERSET;
        out->reason = "SQLite does not enforce the declared type";
        TRY_ALLOC(out->guard, arena_printf(arena, "typeof({0}) IN (%s)", lite_classes(facts.kind)),
                  err);
    }
    return TRIB_OK;
}

static const char *unbindable(const void *context, const TribValue *value) {
    int32_t first = date_from_civil(0, 1, 1), last = date_from_civil(9999, 12, 31);
    if (value->is_null) return NULL;
    switch (value->type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT:
    case TRIB_TYPE_VARBINARY: return NULL;
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARCHAR:
        return value->as.text.length < 100 * 1000 * 1000 ? NULL : "the text is too long for SQLite";
    case TRIB_TYPE_DOUBLE: return isnan(value->as.real) ? "SQLite has no NaN" : NULL;
    case TRIB_TYPE_DECIMAL:
        return value->type.precision <= 15 ? NULL : "more digits than a double holds";
    case TRIB_TYPE_DATE:
        return value->as.integer >= first && value->as.integer <= last
                   ? NULL
                   : "a year outside of 0000 to 9999";
    default: return "SQLite has no such type";
    }
}

static const char *slot_refused(const void *context, TribType type) {
    bool good = (type.id >= TRIB_TYPE_BOOLEAN && type.id <= TRIB_TYPE_BIGINT) ||
                type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR ||
                type.id == TRIB_TYPE_VARBINARY;
    return good ? NULL : "the value of the parameter is not known yet";
}

const SqlDialect lite_dialect = {
    .name = "sqlite",
    .quote = quote,
    .table = from_table,
    .column = describe_column,
    .unbindable = unbindable,
    .rules = rules,
    .nrules = COUNT_OF(rules),
    .nulls = SQL_NULLS_CLAUSE,
    .max_params = 32766,
    .max_text = 1000 * 1000,
    .max_depth = 100,
    .max_terms =
        400, /* SQLITE_LIMIT_EXPR_DEPTH is 1,000: a chain of ORs is as deep as it is long */
    .true_text = "1",
    .false_text = "0",
    .slot_refused = slot_refused,
    .extra = add_rowid,
};
