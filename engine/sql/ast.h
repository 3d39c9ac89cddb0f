/*
 * ast.h - the syntax tree: what was written, before any name is resolved.
 *
 * Nodes live in the statement's arena and are read-only after parsing. Every node carries its position
 * (1-based line and column in characters). Lists are arrays of pointers. Kinds that the binder does not
 * offer yet are parsed all the same and refused there by name.
 */
#ifndef TRIB_SQL_AST_H
#define TRIB_SQL_AST_H

#include "engine/types/value.h"

#define SQL_MAX_TEXT  (1u << 20) /* bytes of a statement */
#define SQL_MAX_DEPTH 1000       /* nesting of expressions and queries */
#define SQL_MAX_HEIGHT \
    (2 * SQL_MAX_DEPTH) /* of a tree: nesting with an operator per level; chains */
#define SQL_MAX_COLUMNS 10000
#define SQL_MAX_REPEATED \
    100000 /* parts of expressions that a form repeats: BETWEEN, CASE x, NULLIF */
#define SQL_MAX_PARAMETERS 32767

typedef struct AstPosition {
    uint32_t line, column;
} AstPosition;

/* An identifier as written; quoted ones match exactly first, then without regard to case, like others. */
typedef struct AstName {
    Str text;
    bool quoted;
    AstPosition at;
} AstName;

/* a, a.b, a.b.c ... */
typedef struct AstQualifiedName {
    uint32_t count;
    AstName *parts;
} AstQualifiedName;

typedef struct AstExpr AstExpr;
typedef struct AstQuery AstQuery;
typedef struct AstRelation AstRelation;
typedef struct AstStatement AstStatement;

/* ---------------------------------------------------------------- expressions */

typedef enum AstExprKind {
    AST_NAME, /* name: column reference, possibly a.b.c; field access is resolved by the binder */
    AST_STAR, /* name (may be empty): *, t.* ; only in select lists and count(*); args[0]: (expression).* */
    AST_NULL,
    AST_BOOLEAN, /* boolean */
    AST_INTEGER, /* text of the digits */
    AST_DECIMAL, /* text: 1.50 */
    AST_DOUBLE,  /* text: 1e3 */
    AST_STRING,  /* text, decoded */
    AST_BINARY,  /* text = decoded bytes of X'..' */
    AST_TYPED_LITERAL, /* type_text + text: DATE '..', TIME, TIMESTAMP, DECIMAL '..', JSON ...; {d ..} too */
    AST_INTERVAL,  /* text, negative sign folded into text; from_unit, to_unit (AST_UNIT_*) */
    AST_PARAMETER, /* slot, 0-based in order of appearance */
    AST_UNARY,     /* op FN_negate or FN_not: args[0] */
    AST_BINARY_OP, /* op (TribFunctionId): comparison, arithmetic, concat, is_distinct_from; args[0..1] */
    AST_AND,       /* args, flattened in order */
    AST_OR,
    AST_IS_NULL,      /* args[0], negated */
    AST_IS_DISTINCT,  /* args[0..1], negated = IS NOT DISTINCT FROM */
    AST_BETWEEN,      /* args: value, low, high; negated */
    AST_IN_LIST,      /* args: value, candidates...; negated */
    AST_LIKE,         /* args: value, pattern[, escape]; negated */
    AST_IN_QUERY,     /* args[0] IN query; negated */
    AST_EXISTS,       /* query */
    AST_SCALAR_QUERY, /* query */
    AST_QUANTIFIED,   /* args[0] op ANY|ALL query; all */
    AST_CASE, /* simple: args[0] operand or NULL; then when, then ...; last = else or NULL; nargs odd+1:
                          args = {operand|NULL, w1, t1, ..., wn, tn, else|NULL} */
    AST_CAST,         /* args[0], type_text; try_cast */
    AST_EXTRACT,      /* unit, args[0] */
    AST_CALL,         /* name, args; distinct, filter, order_by, window, nulls treatment */
    AST_AT_TIME_ZONE, /* args[0], args[1] (zone: string or interval) */
    AST_ROW,          /* args: ROW(..) or (a, b) */
    AST_ARRAY,        /* args: ARRAY[..] */
    AST_SUBSCRIPT,    /* args[0] [ args[1] ] */
    AST_LAMBDA,       /* lambda_names -> args[0] */
    AST_GROUPING,     /* GROUPING(args) */
    AST_CURRENT,      /* op: FN_current_date, FN_current_timestamp ...; precision or -1 */
    AST_POSITION_IN,  /* POSITION(args[0] IN args[1]) */
    AST_TRIM,    /* trim_kind BOTH|LEADING|TRAILING; args[0] value; args[1] characters or NULL */
    AST_DEFAULT, /* DEFAULT in INSERT and UPDATE */
    AST_FIELD,   /* args[0] . name.parts[0], where args[0] is not a plain name: f(x).y, a[1].y */
    AST_JSON /* json_exists, json_value, json_query, json_object, json_array: args[0] input, json */
} AstExprKind;

typedef enum AstUnit {
    AST_UNIT_NONE,
    AST_UNIT_YEAR,
    AST_UNIT_QUARTER,
    AST_UNIT_MONTH,
    AST_UNIT_WEEK,
    AST_UNIT_DAY,
    AST_UNIT_HOUR,
    AST_UNIT_MINUTE,
    AST_UNIT_SECOND,
    AST_UNIT_MILLISECOND,
    AST_UNIT_DAY_OF_WEEK,
    AST_UNIT_DAY_OF_YEAR,
    AST_UNIT_YEAR_OF_WEEK,
    AST_UNIT_TIMEZONE_HOUR,
    AST_UNIT_TIMEZONE_MINUTE
} AstUnit;

/* What JSON_VALUE ... do where nothing is found, or on an error. */
typedef enum AstJsonBehaviour {
    AST_JSON_UNSAID,
    AST_JSON_ERROR,
    AST_JSON_NULL,
    AST_JSON_DEFAULT,
    AST_JSON_TRUE,
    AST_JSON_FALSE,
    AST_JSON_UNKNOWN,
    AST_JSON_EMPTY_ARRAY,
    AST_JSON_EMPTY_OBJECT
} AstJsonBehaviour;
typedef enum AstJsonForm {
    AST_JSON_EXISTS,
    AST_JSON_VALUE,
    AST_JSON_QUERY,
    AST_JSON_OBJECT,
    AST_JSON_ARRAY
} AstJsonForm;
typedef enum AstJsonWrapper {
    AST_JSON_WRAPPER_UNSAID,
    AST_JSON_WRAPPER_WITHOUT,
    AST_JSON_WRAPPER_CONDITIONAL,
    AST_JSON_WRAPPER_UNCONDITIONAL
} AstJsonWrapper;

/* The clauses of an SQL/JSON function. `format`: the argument of the same place is FORMAT JSON.
 * EXISTS, VALUE, QUERY: args[0] input, then the PASSING values named by `names`.
 * OBJECT: args = key, value, key, value ...; format by member. ARRAY: args = elements. */
typedef struct AstJson {
    AstJsonForm form;
    Str path; /* EXISTS, VALUE, QUERY */
    AstName path_name;
    uint32_t nnames;
    struct AstName *names; /* PASSING value AS name */
    bool *format;          /* by argument (OBJECT: by member) */
    Str returning;         /* spelling of a type; data NULL = none */
    bool returning_json;   /* RETURNING type FORMAT JSON */
    AstJsonBehaviour on_empty, on_error;
    AstExpr *empty_default, *error_default;
    AstJsonWrapper wrapper;
    bool omit_quotes, keep_quotes;
    bool null_said, absent_on_null; /* OBJECT, ARRAY: NULL|ABSENT ON NULL was written, which */
    bool unique_said, unique_keys;
} AstJson;

typedef enum AstTrim { AST_TRIM_BOTH, AST_TRIM_LEADING, AST_TRIM_TRAILING } AstTrim;
typedef enum AstNulls { AST_NULLS_DEFAULT, AST_NULLS_FIRST, AST_NULLS_LAST } AstNulls;
typedef enum AstNullTreatment {
    AST_RESPECT_DEFAULT,
    AST_RESPECT_NULLS,
    AST_IGNORE_NULLS
} AstNullTreatment;

typedef struct AstOrderItem {
    AstExpr *expr; /* an integer literal at top level is an ordinal */
    bool descending;
    AstNulls nulls;
    AstPosition at;
} AstOrderItem;

typedef enum AstFrameKind {
    AST_FRAME_NONE,
    AST_FRAME_ROWS,
    AST_FRAME_RANGE,
    AST_FRAME_GROUPS
} AstFrameKind;
typedef enum AstBoundKind {
    AST_BOUND_UNBOUNDED_PRECEDING,
    AST_BOUND_PRECEDING,
    AST_BOUND_CURRENT,
    AST_BOUND_FOLLOWING,
    AST_BOUND_UNBOUNDED_FOLLOWING
} AstBoundKind;

typedef struct AstWindow {
    AstName name; /* of a WINDOW clause, or referenced: OVER w; empty text = none */
    AstName base; /* OVER (w ...); empty text = none */
    uint32_t npartition;
    AstExpr **partition;
    uint32_t norder;
    AstOrderItem *order;
    AstFrameKind frame;
    AstBoundKind start, end;
    AstExpr *start_value, *end_value;
} AstWindow;

struct AstExpr {
    uint8_t kind; /* AstExprKind */
    bool negated, distinct, all, boolean, try_cast, parenthesised;
    uint8_t trim_kind, unit, from_unit, to_unit, null_treatment;
    int8_t precision;
    uint16_t op; /* TribFunctionId */
    AstPosition at;
    Str text;
    Str type_text; /* spelling of a type, for type_parse */
    AstQualifiedName name;
    uint32_t slot;
    uint32_t nargs;
    AstExpr **args;
    AstQuery *query;
    AstExpr *filter;
    uint32_t norder;
    AstOrderItem *order;
    AstWindow *window;
    uint32_t nlambda;
    AstName *lambda_names;
    uint16_t height; /* nodes below this one on the longest way down, at most SQL_MAX_HEIGHT */
    AstName *
        arg_names; /* CALL of TABLE(f(name => value)); parallel to args, empty text = by position; NULL = none */
    AstJson *json;                          /* JSON */
    bool overflow_truncate, overflow_count; /* CALL listagg: ON OVERFLOW TRUNCATE text WITH COUNT */
};

/* ---------------------------------------------------------------- queries */

typedef struct AstSelectItem {
    AstExpr *expr;
    AstName alias;            /* empty text = none */
    uint32_t ncolumn_aliases; /* t.* AS (a, b) */
    AstName *column_aliases;
} AstSelectItem;

typedef enum AstGroupKind {
    AST_GROUP_SIMPLE,
    AST_GROUP_SETS,
    AST_GROUP_CUBE,
    AST_GROUP_ROLLUP
} AstGroupKind;

typedef struct AstExprList {
    uint32_t count;
    AstExpr **items;
} AstExprList;

typedef struct AstGroupItem {
    AstGroupKind kind;
    uint32_t nsets;
    AstExprList *
        sets; /* SIMPLE: one set of one expression; CUBE, ROLLUP: a set per parenthesised element */
    AstPosition at;
} AstGroupItem;

typedef struct AstSelect {
    bool distinct;
    uint32_t nitems;
    AstSelectItem *items;
    AstRelation *from; /* NULL = no FROM; a comma list is a tree of cross joins */
    AstExpr *where;
    bool group_distinct;
    uint32_t ngroups;
    AstGroupItem *groups;
    AstExpr *having;
    uint32_t nwindows;
    AstWindow *windows;
    AstPosition at;
} AstSelect;

typedef enum AstBodyKind {
    AST_BODY_SELECT,
    AST_BODY_VALUES,
    AST_BODY_TABLE,
    AST_BODY_SET,
    AST_BODY_QUERY
} AstBodyKind;
typedef enum AstSetKind { AST_UNION, AST_INTERSECT, AST_EXCEPT } AstSetKind;

typedef struct AstBody AstBody;
struct AstBody {
    AstBodyKind kind;
    AstPosition at;
    AstSelect *select;
    uint32_t nrows; /* VALUES */
    AstExprList *rows;
    AstQualifiedName table; /* TABLE t */
    AstSetKind set;
    bool all;
    AstBody *left, *right; /* SET */
    AstQuery *query;       /* a parenthesised query */
    uint16_t height;
};

typedef struct AstCte {
    AstName name;
    uint32_t ncolumns;
    AstName *columns;
    AstQuery *query;
} AstCte;

struct AstQuery {
    bool recursive;
    uint32_t nctes;
    AstCte *ctes;
    AstBody *body;
    uint32_t norder;
    AstOrderItem *order;
    AstExpr *offset, *limit; /* integer literal or parameter; LIMIT ALL = NULL */
    bool with_ties;
    AstPosition at;
    uint16_t height; /* like AstExpr's, over everything inside */
    Str text;        /* as written */
};

typedef enum AstRelationKind {
    AST_REL_TABLE,    /* name */
    AST_REL_QUERY,    /* query; lateral */
    AST_REL_JOIN,     /* join, left, right; on | using | natural; no condition = cross */
    AST_REL_UNNEST,   /* args; ordinality */
    AST_REL_FUNCTION, /* TABLE(f(args)): call */
    AST_REL_VALUES    /* reserved: VALUES comes as a query */
} AstRelationKind;

typedef enum AstJoinKind {
    AST_JOIN_CROSS,
    AST_JOIN_INNER,
    AST_JOIN_LEFT,
    AST_JOIN_RIGHT,
    AST_JOIN_FULL
} AstJoinKind;

struct AstRelation {
    AstRelationKind kind;
    AstPosition at;
    AstQualifiedName name;
    AstQuery *query;
    bool lateral, ordinality, natural;
    AstJoinKind join;
    AstRelation *left, *right;
    AstExpr *on;
    uint32_t nusing;
    AstName *using_columns;
    uint32_t nargs;
    AstExpr **args;
    AstExpr *call;
    AstName alias; /* empty text = none */
    uint32_t naliases;
    AstName *column_aliases;
    AstExpr *sample_percent; /* TABLESAMPLE; NULL = none */
    bool sample_system;
    uint16_t height;
};

/* ---------------------------------------------------------------- statements */

typedef enum AstStatementKind {
    AST_QUERY,
    AST_EXPLAIN,
    AST_SHOW_CATALOGS,
    AST_SHOW_SCHEMAS,
    AST_SHOW_TABLES,
    AST_SHOW_COLUMNS,
    AST_SHOW_SESSION,
    AST_SHOW_FUNCTIONS,
    AST_SHOW_VIEWS,
    AST_SHOW_CREATE_TABLE,
    AST_SHOW_CREATE_VIEW,
    AST_SHOW_STATS,
    AST_USE,
    AST_SET_SESSION,
    AST_RESET_SESSION,
    AST_CREATE_TABLE,
    AST_CREATE_TABLE_AS,
    AST_DROP_TABLE,
    AST_CREATE_SCHEMA,
    AST_DROP_SCHEMA,
    AST_INSERT,
    AST_UPDATE,
    AST_DELETE,
    AST_CREATE_VIEW,
    AST_DROP_VIEW,
    AST_PREPARE,
    AST_EXECUTE,
    AST_EXECUTE_IMMEDIATE,
    AST_DEALLOCATE,
    AST_DESCRIBE_INPUT,
    AST_DESCRIBE_OUTPUT,
    AST_START_TRANSACTION,
    AST_COMMIT,
    AST_ROLLBACK,
    AST_SHOW_PARTITIONS,
    AST_SHOW_CREATE_SCHEMA,
    AST_SHOW_CREATE_MATERIALIZED_VIEW,
    AST_SET_TIME_ZONE,
    AST_TRUNCATE_TABLE,
    AST_COMMENT,
    AST_CALL_PROCEDURE,
    AST_MERGE,
    AST_CREATE_CATALOG,
    AST_DROP_CATALOG,
    AST_CREATE_EXTERNAL_TABLE,
    AST_ALTER_TABLE,
    AST_RENAME_SCHEMA,
    AST_RENAME_VIEW,
    AST_REPAIR_TABLE,
    AST_ANALYZE,
    AST_UNLOAD,
    AST_CREATE_MATERIALIZED_VIEW,
    AST_REFRESH_MATERIALIZED_VIEW,
    AST_DROP_MATERIALIZED_VIEW,
    AST_KILL_QUERY,
    AST_SHOW_PROPERTIES,
    AST_CREATE_INDEX,
    AST_DROP_INDEX
} AstStatementKind;

typedef enum AstExplainType {
    AST_EXPLAIN_PHYSICAL,
    AST_EXPLAIN_LOGICAL,
    AST_EXPLAIN_REMOTE,
    AST_EXPLAIN_VALIDATE,
    AST_EXPLAIN_IO
} AstExplainType;

typedef struct AstColumnDef {
    AstName name;
    Str type_text;
    bool not_null, primary_key, unique, identity;
    AstName primary_name, unique_name; /* CONSTRAINT name; empty text = none */
    AstExpr *default_value;
    Str comment;
} AstColumnDef;

/* PRIMARY KEY (a, b) or UNIQUE (a, b) as an element of its own. */
typedef struct AstTableKey {
    AstName name; /* CONSTRAINT name; empty text = none */
    bool primary;
    AstPosition at;
    uint32_t ncolumns;
    AstName *columns;
} AstTableKey;

typedef struct AstAssignment {
    AstName column;
    AstExpr *value;
} AstAssignment;

/* WITH (name = value): value NULL = DEFAULT. Athena's ('k' = 'v') lists: name.quoted, value a string. */
typedef struct AstProperty {
    AstName name;
    AstExpr *value;
} AstProperty;

typedef enum AstMergeAction { AST_MERGE_UPDATE, AST_MERGE_DELETE, AST_MERGE_INSERT } AstMergeAction;

/* WHEN [NOT] MATCHED [AND condition] THEN ... */
typedef struct AstMergeCase {
    AstMergeAction action;
    AstPosition at;
    AstExpr *condition; /* NULL = none */
    uint32_t nassignments;
    AstAssignment *assignments; /* UPDATE */
    uint32_t ncolumns;
    AstName *columns; /* INSERT; 0 = all */
    uint32_t nvalues;
    AstExpr **values; /* INSERT */
} AstMergeCase;

/* PARTITION (k = v, ...) [LOCATION '..'] */
typedef struct AstPartition {
    uint32_t count;
    AstAssignment *keys;
    Str location; /* data NULL = none */
} AstPartition;

typedef enum AstAlterAction {
    AST_ALTER_RENAME,          /* new_name */
    AST_ALTER_ADD_COLUMNS,     /* columns (ADD COLUMN: one) */
    AST_ALTER_REPLACE_COLUMNS, /* columns */
    AST_ALTER_RENAME_COLUMN,   /* column, new_column */
    AST_ALTER_DROP_COLUMN,     /* column */
    AST_ALTER_COLUMN_TYPE,     /* column, type_text */
    AST_ALTER_DROP_NOT_NULL,   /* column */
    AST_ALTER_SET_PROPERTIES,  /* the statement's properties: SET PROPERTIES, SET TBLPROPERTIES */
    AST_ALTER_SET_LOCATION,    /* location; of one partition where npartitions is 1 */
    AST_ALTER_ADD_PARTITION,   /* partitions */
    AST_ALTER_DROP_PARTITION,  /* partitions */
    AST_ALTER_RENAME_PARTITION /* partitions[0] to partitions[1] */
} AstAlterAction;

typedef struct AstAlter {
    AstAlterAction action;
    bool if_exists, if_not_exists; /* of the column or partition */
    AstQualifiedName new_name;
    AstQualifiedName column; /* more than one part: a field of a row */
    AstName new_column;
    uint32_t ncolumns;
    struct AstColumnDef *columns;
    Str type_text, location;
    uint32_t npartitions;
    AstPartition *partitions;
} AstAlter;

/* The clauses of CREATE EXTERNAL TABLE, in Athena's grammar. Texts: data NULL = not written. */
typedef struct AstExternal {
    uint32_t npartition_columns;
    struct AstColumnDef *partition_columns;
    uint32_t nclustered;
    AstName *clustered; /* CLUSTERED BY */
    Str buckets;        /* digits */
    bool delimited;     /* ROW FORMAT DELIMITED */
    Str fields, escaped, items, keys, lines, null_text;
    Str serde; /* ROW FORMAT SERDE '..' */
    uint32_t nserde_properties;
    AstProperty *serde_properties;
    AstName stored; /* STORED AS PARQUET */
    Str input_format, output_format;
    Str location;
} AstExternal;

typedef struct AstIndexColumn {
    AstName column;
    bool descending;
} AstIndexColumn;

typedef enum AstCommentTarget {
    AST_COMMENT_TABLE,
    AST_COMMENT_VIEW,
    AST_COMMENT_COLUMN
} AstCommentTarget;

struct AstStatement {
    AstStatementKind kind;
    AstPosition at;
    uint32_t nparameters;
    AstQuery *query;    /* QUERY, CTAS, INSERT, CREATE VIEW */
    bool analyze, json; /* EXPLAIN */
    AstExplainType explain;
    AstStatement *inner;   /* EXPLAIN, PREPARE */
    AstQualifiedName name; /* table, schema, catalog, setting, prepared statement */
    bool has_name;
    Str like, escape; /* SHOW ... LIKE; data NULL = none */
    AstExpr *value;   /* SET SESSION */
    bool if_exists, if_not_exists, or_replace;
    uint32_t ncolumns;
    AstColumnDef *columns; /* CREATE TABLE */
    uint32_t nkeys;
    AstTableKey *keys; /* CREATE TABLE: those that are elements of their own */
    uint32_t nnames;
    AstName *names;                    /* INSERT's columns, CTAS's aliases */
    bool with_no_data, default_values; /* INSERT INTO t DEFAULT VALUES: one row without columns */
    uint32_t nassignments;
    AstAssignment *assignments; /* UPDATE */
    AstExpr *where;             /* UPDATE, DELETE */
    uint32_t nargs;
    AstExpr **args; /* EXECUTE ... USING */
    Str comment;
    Str text;  /* CREATE VIEW, PREPARE: the text of the query or statement; EXECUTE IMMEDIATE: the
                                    string; KILL QUERY: the query's id; CREATE SCHEMA, UNLOAD: location */
    Str regex; /* Athena's SHOW TABLES IN s 'regex'; data NULL = none */
    uint32_t nproperties;
    AstProperty *properties;     /* WITH (...), TBLPROPERTIES (...) */
    bool cascade;                /* DROP SCHEMA, DROP CATALOG */
    bool with_properties_of;     /* CREATE TABLE (LIKE t INCLUDING PROPERTIES) */
    AstQualifiedName like_table; /* CREATE TABLE (LIKE t) */
    uint32_t like_at;            /* columns written before LIKE */
    AstName connector;           /* CREATE CATALOG ... USING connector */
    AstName alias;               /* MERGE INTO t AS alias; UPDATE and DELETE likewise */
    AstQualifiedName index_name; /* CREATE INDEX i ON name (...), DROP INDEX i [ON name] */
    bool unique_index;
    uint32_t nindex;
    AstIndexColumn *index;
    AstRelation *source; /* MERGE ... USING source */
    AstExpr *on;         /* MERGE ... ON */
    uint32_t nmerge;
    AstMergeCase *merge;
    AstName *
        arg_names; /* CALL p(name => value): parallel to args, empty text = by position; NULL = none */
    AstAlter *alter;
    AstExternal *external;
    AstQualifiedName new_name;   /* RENAME_SCHEMA, RENAME_VIEW */
    AstCommentTarget comment_on; /* COMMENT ON; comment.data NULL = NULL */
    bool security_invoker;       /* CREATE VIEW ... SECURITY INVOKER */
    AstExpr *grace;              /* CREATE MATERIALIZED VIEW ... GRACE PERIOD interval */
    bool verbose;                /* EXPLAIN ANALYZE VERBOSE */
    Str isolation;               /* START TRANSACTION ISOLATION LEVEL; data NULL = none */
    bool read_only, read_write;  /* START TRANSACTION READ ONLY, READ WRITE */
    bool local_zone;             /* SET TIME ZONE LOCAL; else value */
};

#endif
