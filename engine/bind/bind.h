/*
 * bind.h - syntax tree + catalogs -> logical plan: names, types, coercions, scopes.
 *
 * Binding does metadata I/O (describing tables), no data I/O. Sub-queries become EXPR_SUBQUERY nodes,
 * views and CTEs are expanded, SHOW and DESCRIBE become queries over information_schema. Every error
 * carries a position and, for unknown names, the nearest candidates.
 */
#ifndef TRIB_BIND_BIND_H
#define TRIB_BIND_BIND_H

#include "engine/plan/logical.h"
#include "engine/sql/parser.h"

typedef enum BoundKind {
    BOUND_QUERY,   /* plan: rows */
    BOUND_WRITE,   /* plan: root is LOGICAL_WRITE; a row count */
    BOUND_EXPLAIN, /* inner: its plan as rows of text, one column */
    BOUND_ROWS, /* SHOW SESSION, SHOW CATALOGS, SHOW FUNCTIONS: rows computed at execution, no plan;
                      columns described below */
    BOUND_COMMAND /* USE, SET SESSION, CREATE TABLE, DROP ...: executed from the syntax tree */
} BoundKind;

typedef struct BoundStatement {
    BoundKind kind;
    const AstStatement *ast;
    LogicalPlan *plan; /* QUERY, WRITE; EXPLAIN: of the inner statement when it has one */
    struct BoundStatement *inner; /* EXPLAIN, DESCRIBE INPUT and OUTPUT, SHOW STATS FOR (query) */
    Expr *value;                  /* SET TIME ZONE; NULL = LOCAL */
    uint32_t ncolumns;            /* of the result; 0 = none */
    Str *labels;
    Type *types;
    uint32_t nparameters;
    Type *parameter_types; /* from context, else varchar(4000) */
    bool *parameter_inferred;
    /* COMMAND on a table or schema: the resolved target. */
    Catalog *catalog;
    const char *schema, *name;
    TribTable *definition; /* CREATE VIEW */
    TribDdl *ddl;          /* what the source is asked; NULL: another command */
    bool nothing;          /* IF [NOT] EXISTS says that there is nothing to do */
} BoundStatement;

typedef struct BindContext {
    LookupContext lookup;
    const EvalSession *session;
    void *warn_context;
    /* Of parameters whose type is not to come from the context: by slot, UNKNOWN = from the context;
     * NULL = all from the context. */
    const Type *given_types;
} BindContext;

/* Everything is allocated in `arena`, which must outlive the BoundStatement. */
Status bind_statement(const BindContext *context, Arena *arena, const AstStatement *ast,
                      BoundStatement **out, Error *err) WARN_UNUSED;

#endif
