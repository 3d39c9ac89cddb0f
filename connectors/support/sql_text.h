/*
 * sql_text.h - turns an offer into one SELECT of a source's SQL, with verdicts.
 *
 * A dialect is a table: how names are quoted, and for every operator x argument types x column class a
 * template with a verdict (SqlRule). sql_plan walks the offered conjuncts bottom-up, renders what has a
 * rule, combines the verdicts, and takes grouping, order and limit by the rules of docs/pushdown.md:
 *   AND drops what has no rule (then SUPERSET at most); OR needs all its sides; NOT is pushed down to
 *   the leaves (De Morgan holds in three-valued logic), where `not (a < b)` is `a >= b`, and stands in
 *   front of a template only where that is exact for NULL too; nothing above an inexact filter.
 * Literals never become text: each is a `?` in the text and a SqlParam in the list. All results live in
 * the arena given; nothing points into the offer. No state: any thread.
 */
#ifndef TRIB_SUPPORT_SQL_TEXT_H
#define TRIB_SUPPORT_SQL_TEXT_H

#include "connectors/tributary_connector.h"
#include "engine/base/text.h"

typedef struct SqlDialect SqlDialect;
typedef struct SqlRender SqlRender;

/* ---- masks of types, for rules */
#define SQL_TYPE(name) (UINT32_C(1) << TRIB_TYPE_##name)
#define SQL_INTEGERS   (SQL_TYPE(TINYINT) | SQL_TYPE(SMALLINT) | SQL_TYPE(INTEGER) | SQL_TYPE(BIGINT))
#define SQL_FLOATS     (SQL_TYPE(REAL) | SQL_TYPE(DOUBLE))
#define SQL_ANY_TYPE   UINT32_C(0xffffffff)
#define SQL_ANY_CLASS  UINT32_C(0xffffffff)

/* Pseudo-operators that stand in rules beside TribFunctionIds. */
enum {
    SQL_OP_OUTPUT = 0xff00, /* how a column is selected; without a row: {0} */
    SQL_OP_ORDER = 0xff01,  /* a sort key */
    SQL_OP_GROUP = 0xff02,  /* a grouping key, or an output under DISTINCT */
    SQL_OP_TRUE = 0xff03,   /* a boolean value that stands as a condition */
    SQL_OP_FALSE = 0xff04,  /* the same, negated */
    SQL_OP_NOT_IN = 0xff05,
    SQL_OP_NOT_LIKE = 0xff06,
    SQL_OP_NOT_BETWEEN = 0xff07,
    SQL_OP_IS_NOT_DISTINCT = 0xff08
};

enum {
    SQL_TRUTH_ONLY =
        1, /* right about which rows are TRUE, not about FALSE and NULL: never negated as a whole */
    SQL_NO_GUARD = 2, /* the guards of columns are not wanted here (IS NULL) */
    SQL_DISTINCT = 4, /* aggregates: the row is for DISTINCT arguments */
    SQL_STRICT = 8,   /* a value that is NULL if an argument is: allowed over columns with a cap */
    SQL_RAISES = 16,  /* raises where the engine does, so that it may raise: in new values only */
    SQL_STORED = 32   /* only where nothing follows but storing the value, which refuses what the
                         column does not take: in new values only */
};

/*
 * One capability. The first row that fits wins: op, type of the first argument in `first`, types of the
 * others in `rest` (0 = like first), type of the call in `result` (0 = any), class of every column below
 * in `classes`. Comparisons (eq .. is_distinct_from, in, between) also ask for arguments of one type
 * family. Templates:
 *   {0} {1} ...   the arguments (rendered again, and bound again, at each place)
 *   {1*}          the arguments from 1 on, separated by ", "
 *   {1*|T}        the same, each in the text T, in which % stands for the argument
 *   {pattern}     LIKE: the pattern as a parameter, rewritten for the dialect's escape character, or for GLOB
 * A brace is written {{. template NULL: known not to be pushable, `reason` says why. Calls inside calls
 * are put in parentheses. Comparisons are taken as complementary (not (a < b) is a >= b): a dialect whose
 * source stores NaN must not have rows for floating types without a check.
 * A column with a cap below EXACT or a guard (its stored value may differ from what the engine reads: NULL
 * or an error) may stand in comparisons, IN, BETWEEN, LIKE, arithmetic, casts, in calls marked SQL_STRICT
 * and in rows marked SQL_NO_GUARD only: elsewhere a superset could turn into a subset.
 * check: looks at the values; may lower the verdict, give a reason, replace the template. NULL = none.
 */
typedef struct SqlRule {
    uint16_t op;
    uint16_t flags;
    uint32_t first, rest, result;
    uint32_t classes;
    TribVerdictKind verdict;
    const char *template;
    const char *reason; /* why it is not EXACT */
    TribVerdictKind (*check)(const SqlRender *render, const TribNode *call, const char **template,
                             const char **reason);
    uint32_t gives; /* class of the result; 0 = the classes of the arguments */
} SqlRule;

/* What the dialect knows about a column of the offer, from its facts. */
typedef struct SqlColumn {
    uint32_t class; /* one bit (or several: all must be allowed by a rule); 0 = fits every rule */
    TribVerdictKind cap; /* no predicate over the column is better than this */
    const char *reason;  /* why the cap */
    const char *guard;   /* template AND-ed to every leaf that reads the column; NULL = none */
    const char *text;    /* template of the column itself, {0} = quoted name; NULL = {0} */
} SqlColumn;

typedef enum {
    SQL_NULLS_CLAUSE, /* ORDER BY c NULLS LAST */
    SQL_NULLS_SMALLEST /* NULL sorts as the smallest value; placed with "c IS NULL" where that is not wanted */
} SqlNullOrder;

/*
 * What the dialect computes as new values of columns from old ones (sql_assign.c). The source must evaluate branches of CASE
 * and COALESCE only where they are chosen, and refuse to store what a column does not take: numbers beyond
 * its range, longer texts.
 */
typedef struct SqlAssigning {
    const SqlRule *rules; /* looked at before the dialect's own, which are for what cannot raise */
    uint32_t nrules;
    /* In the place of the dialect's: texts and classes such that values of columns mix with others. */
    Status (*column)(const void *context, Arena *arena, const TribTable *table,
                     const TribColumn *column, SqlColumn *out, Error *err);
    /*
     * How a value of a type and of these classes is stored so that the engine's conversion to the column's type is done:
     * a template, {0} = the value. NULL: not, *reason says why (static, or in the arena).
     */
    const char *(*store)(const void *context, Arena *arena, const TribColumn *target, TribType type,
                         uint32_t classes, const char **reason);
} SqlAssigning;

struct SqlDialect {
    const char *name;
    void (*quote)(Buf *out, Str name); /* the one function that quotes identifiers */
    /* Appends what stands after FROM; NULL = schema.table, quoted. */
    void (*table)(const void *context, Buf *out, const TribTable *table);
    /* Fills in *out (zeroed, cap EXACT). Strings are static or live in the arena. */
    Status (*column)(const void *context, Arena *arena, const TribTable *table,
                     const TribColumn *column, SqlColumn *out, Error *err);
    /* Can this value be bound? NULL: yes; else the reason why not. Called for every literal. */
    const char *(*unbindable)(const void *context, const TribValue *value);
    /* The text of a parameter of a type: "?" or "CAST(? AS ...)" (one ? each); NULL hook = "?". */
    const char *(*param)(const void *context, TribType type);
    const SqlRule *rules;
    uint32_t nrules;
    char like_escape; /* 0: patterns are GLOB's, with * ? and [x] */
    SqlNullOrder nulls;
    uint32_t max_params; /* of one statement */
    size_t
        max_param_bytes; /* of the texts among them, within one part of a SqlSelect; 0 = any number */
    size_t max_text;
    uint32_t max_depth;                 /* of an expression */
    uint32_t max_terms;                 /* leaves of all conditions together; 0 = any number */
    const char *true_text, *false_text; /* conditions, such as "1 = 1" and "1 = 0" */
    /* Why a parameter slot of a type, whose value comes at scan_open, cannot be sent; NULL hook or NULL: it can. */
    const char *(*slot_refused)(const void *context, TribType type);
    /* Appends expressions wanted beside the outputs (", rowid"), where rows are rows of the table. NULL = none. */
    void (*extra)(const void *context, Buf *out, const TribTable *table);
    const SqlAssigning *assigning; /* NULL = new values are constants */
};

/* ---- results */

typedef struct SqlParam {
    size_t at;    /* byte offset of its ? in the fragment's text */
    bool is_slot; /* the value comes with the scan request */
    uint32_t slot;
    TribValue value; /* if not a slot: a deep copy */
    TribType type;
} SqlParam;

typedef struct SqlFragment {
    const char *text; /* NUL-terminated */
    size_t len;
    uint32_t nparams;
    const SqlParam *params; /* in the order of their ? */
} SqlFragment;

typedef struct SqlOutput {
    TribType type;
    uint32_t column; /* index in the table; UINT32_MAX for expressions */
    const char *name, *facts,
        *declared; /* of the column (declared: remote_type), copied; NULL for expressions */
} SqlOutput;

/* A runtime-filter key: its column with what rendering needs of it, kept for scan_open. */
typedef struct SqlKey {
    uint32_t output;        /* index into outputs */
    const TribTable *table; /* a copy with that one column; NULL = no filter can be sent */
} SqlKey;

/* A planned SELECT in its parts, so that ranges of splits and runtime filters can join the WHERE. */
typedef struct SqlSelect {
    SqlFragment head;  /* SELECT ... FROM ... */
    SqlFragment where; /* conditions without the word WHERE; may be empty */
    SqlFragment tail;  /* GROUP BY, ORDER BY, LIMIT; may be empty */
    uint32_t noutput;
    SqlOutput *outputs;
    bool has_extra; /* the dialect's extra expressions stand after the outputs */
    uint32_t nkeys;
    SqlKey *keys;
    bool exact;     /* every conjunct was EXACT */
    uint32_t taken; /* TRIB_TAKEN_* */
} SqlSelect;

/*
 * Plans the offer: fills in verdicts, key_verdicts, taken and the reasons of the offer, and *out.
 * `context` is handed to the dialect's hooks. Mode OFF: every verdict is NONE. Errors: UNSUPPORTED (a
 * join tree, grouping that cannot be taken, outputs that are no columns), out of memory.
 */
Status sql_plan(const SqlDialect *dialect, const void *context, Arena *arena, TribOffer *offer,
                SqlSelect *out, Error *err) WARN_UNUSED;

/* The whole statement: WHERE joined with `extra` conditions (each in parentheses) by AND. */
Status sql_select_join(Arena *arena, const SqlSelect *select, const SqlFragment *extra,
                       uint32_t nextra, SqlFragment *out, Error *err) WARN_UNUSED;
/*
 * The condition of a runtime filter: an IN list while its values are complete and at most `budget`
 * parameters, else a range if minimum and maximum are known and the source has a rule for it, else
 * len 0. filter->output names an output; one that is not among the keys gives len 0.
 */
Status sql_filter(const SqlDialect *dialect, const void *context, Arena *arena,
                  const SqlSelect *select, const TribFilterKey *filter, uint32_t budget,
                  SqlFragment *out, Error *err) WARN_UNUSED;
/* Text for EXPLAIN: the statement, then a line "params:   ..." if there are any. NULL when exhausted. */
char *sql_explain(Arena *arena, const SqlFragment *statement);
/* A value as EXPLAIN shows it: DATE '2024-01-01', 'text', 12.50, NULL. */
void sql_value_text(Buf *out, const TribValue *value);
/* A deep copy on the arena; false when exhausted. */
bool sql_value_copy(Arena *arena, const TribValue *value, TribValue *out);
/* Adds a fragment to a text, and its parameters, moved by what stands before it, to `params`, which has room. */
void sql_fragment_add(Buf *text, SqlParam *params, uint32_t *nparams, const SqlFragment *part);

/* ---- for check functions */
struct SqlRender {
    const SqlDialect *dialect;
    const void *context;
    Arena *arena;
    const TribOffer *offer;
};
/* Argument `index` of a call. */
const TribNode *sql_argument(const SqlRender *render, const TribNode *call, uint32_t index);
/* The value of a literal node; NULL if it is something else. */
const TribValue *sql_literal(const SqlRender *render, const TribNode *node);
/* The column that a node is, seen through widening casts; NULL if it is something else. */
const TribColumn *sql_column(const SqlRender *render, const TribNode *node);

/*
 * A LIKE pattern for another escape character: `escape` 0 = none in the source pattern. false: the
 * pattern is malformed (the engine raises) or memory is exhausted.
 */
bool sql_like_rewrite(Arena *arena, Str pattern, int32_t escape, char new_escape, Str *out);
/* The same as a pattern of GLOB, which is case-sensitive. */
bool sql_glob_rewrite(Arena *arena, Str pattern, int32_t escape, Str *out);

#endif
