/*
 * scope.h - which names mean which columns at a place of the query.
 */
#ifndef TRIB_BIND_SCOPE_H
#define TRIB_BIND_SCOPE_H

#include "engine/bind/bind.h"

/* One column that can be named. */
typedef struct ScopeColumn {
    Str name;
    ColumnId id;
    uint32_t nqualifiers;  /* of the relation: alias, or catalog, schema, table */
    const Str *qualifiers; /* outermost first */
    bool qualified_only;   /* merged by USING: not found by its bare name, not part of * */
    bool hidden;           /* not part of * */
} ScopeColumn;

typedef struct Scope Scope;
struct Scope {
    const Scope *outer; /* of the enclosing query, NULL = none */
    const char
        *refused; /* its columns cannot be used here, though names mean them; NULL = they can */
    uint32_t count, capacity;
    ScopeColumn *columns;
    /* Chains of columns whose names have equal hashes, from the last to the first; made by scope_add once
     * there are many columns. Whoever changes names in place says so: scope_renamed. */
    uint32_t nslots, indexed;
    uint32_t *heads, *links; /* position + 1; 0 ends a chain */
};

/* What is known of a common table expression. One that depends on nothing around it is bound once: its uses
 * are leaves that read an entry of the plan's `ctes`. */
typedef struct CteState {
    bool used;
    SharedPlan *plan; /* NULL: not bound yet, or bound anew at each use */
    Scope scope;      /* the names of its columns */
    PlanColumn *columns;
    uint32_t height; /* levels of nesting in it */
} CteState;

/* A common table expression that can be named. */
typedef struct CteScope CteScope;
struct CteScope {
    const CteScope *next; /* further out */
    const AstCte *cte;
    const CteScope *visible; /* what its own query sees */
    const Scope *outer;
    bool recursive;              /* of WITH RECURSIVE */
    struct Recursion *recursion; /* it is being bound: its name means the rows of the step before */
    CteState *state;
};
typedef struct Recursion Recursion;

/* Where recursive queries must not be named, though they are in scope. */
typedef struct RecursionBan {
    const char *where; /* for the message; NULL = nowhere */
    uint32_t depth;    /* concerns the so many outermost ones */
} RecursionBan;

/* The parameters of a lambda whose body is being bound. */
typedef struct LambdaScope LambdaScope;
struct LambdaScope {
    const LambdaScope *outer;
    uint32_t count;
    const AstName *names;
    const char *const *texts;
    const Type *types;
};

/* A view whose query is being bound. */
typedef struct ViewFrame {
    const struct ViewFrame *outer;
    const char *name;
} ViewFrame;

typedef struct Binder {
    const BindContext *context;
    Arena *arena;
    LogicalPlan *plan; /* of the whole statement: columns, parameters */
    uint32_t depth;
    const ViewFrame *views;               /* the innermost first */
    uint32_t recursions, recursion_depth; /* recursive queries so far; around this place */
    RecursionBan ban;
    uint32_t deepest;      /* the greatest depth so far */
    ColumnId lowest_outer; /* of the columns of enclosing queries named so far, the oldest */
    uint32_t lowest_step;  /* of the recursive queries named so far, the outermost; from 1 */
    uint32_t cte_capacity; /* of plan->ctes */
    uint32_t dependent;    /* times that WITH queries were bound anew */
    Error *err;
} Binder;

/* A bound relation or query: a plan and what its columns are called. */
typedef struct Bound {
    LogicalNode *node;
    Scope scope; /* in the order of * */
} Bound;

Status scope_add(Binder *binder, Scope *self, const ScopeColumn *column);
/* Names or qualifiers of columns were changed in place. */
void scope_renamed(Binder *binder, Scope *self);
/* Finds a column by 1 to 4 name parts, in the innermost scope that has one of the name. Unknown: 42S22 with
 * near names; several: 42000 naming both. *enclosing (NULL: enclosing queries are not looked at): it belongs
 * to an enclosing query. */
Status scope_find(Binder *binder, const Scope *self, const AstQualifiedName *name,
                  const ScopeColumn **out, bool *enclosing);
/* Does the qualifier written before .* name this column's relation? */
bool scope_qualified(const ScopeColumn *column, const AstQualifiedName *name, uint32_t nparts);

/* The windows that a WINDOW clause names, resolved in order: each may build on those before it. */
typedef struct WindowNames {
    uint32_t count;
    struct NamedWindow *windows; /* window.c */
    Map index;                   /* folded name -> NamedWindow */
} WindowNames;

/* expr.c: binds one expression over a scope. Aggregates become EXPR_AGGREGATE nodes if `aggregates`. */
typedef struct ExprScope {
    const Scope *scope; /* NULL: no columns */
    const CteScope *ctes;
    bool aggregates; /* aggregate calls are allowed here */
    bool inside_aggregate;
    const WindowNames *windows; /* window functions are allowed here, with these names; NULL: not */
    bool inside_window;
    const char *clause; /* for messages: "WHERE", "GROUP BY" ... */
    /* ORDER BY: bare names mean columns of the select list before those of FROM, outside of aggregates.
     * *out stays NULL where there is none of the name. */
    Status (*selected)(void *context, const AstName *name, Expr **out);
    void *context;
    const LambdaScope *lambda; /* the lambda around, innermost first; NULL = none */
} ExprScope;
Status bind_expr(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
/* Converts to a type without being asked; a parameter or NULL simply takes it. */
Status bind_coerce(Binder *binder, Expr *e, Type type, Expr **out);
/* A condition: boolean, or an error with the clause's name. */
Status bind_condition(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
/* A query's column that is nothing but a parameter, and that nothing gave a type, takes one from what
 * stands beside the query: the other side of a UNION, the column that it is written to. */
void bind_adopt(Binder *binder, LogicalNode *query, uint32_t id, Type type);
/* The same for a column of VALUES all of whose rows are parameters. */
void bind_adopt_values(Binder *binder, LogicalNode *values, uint32_t id, Type type);
/* A parameter that nothing gave a type becomes varchar(4000). */
Status bind_settle(Binder *binder, Expr *e, Expr **out);
Status bind_call(Binder *binder, const AstExpr *at, Str name, uint32_t nargs, Expr **args,
                 Expr **out);
/* window.c: a call with OVER becomes an EXPR_WINDOW. */
Status bind_window(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name,
                   Expr **out);
Status bind_call_id(Binder *binder, const AstExpr *at, TribFunctionId id, uint32_t nargs,
                    Expr **args, Expr **out);
/* The common type of several expressions, all coerced to it. `what` for the message. */
Status bind_unify(Binder *binder, const AstExpr *at, const char *what, uint32_t count, Expr **exprs,
                  Type *type);

/* grouping_sets.c: GROUPING(columns). */
Status bind_grouping(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);

/* json.c */
Status bind_json(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);

/* aggregate.c: the clauses inside a call whose arguments are bound; the sort keys become further ones. */
Status bind_aggregate_clauses(Binder *binder, const ExprScope *scope, const AstExpr *ast,
                              const Aggregate **aggregate, uint32_t *nargs, Expr ***args);
/* reduce_agg(value, state, step, combine) is written with array_agg and reduce. */
bool is_reduce_agg(Str name);
Status bind_reduce_agg(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);

/* expr.c, for the other files of expressions */
Status bind_args(Binder *binder, const ExprScope *scope, uint32_t count, AstExpr *const *asts,
                 Expr ***out);
/* Completes a resolved call: arguments are coerced and take their types. */
Status bind_resolved(Binder *binder, const AstExpr *at, const ResolvedFunction *f, uint32_t nargs,
                     Expr **args, Expr **out);
/* The aggregate of a name for arguments; what their markers are, where nothing else says it, is text. */
Status bind_resolve_aggregate(Binder *binder, Str name, uint32_t nargs, Expr *const *args,
                              ResolvedAggregate *out) WARN_UNUSED;
/* Gives an error the place of `at` unless it has one, and a hint where dates are compared with text. */
Status bind_place_error(Binder *binder, const AstExpr *at, uint32_t nargs, Expr *const *args,
                        Status status);
/* An operand that the form holds `times` over: refuses what gives another value each time. */
Status bind_repeated(Binder *binder, const AstExpr *at, const Expr *operand, uint32_t times,
                     const char *what);

/* nested.c: rows, arrays, subscripts, fields */
Status bind_row(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_array(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_subscript(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_field(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
/* a || b || c with arrays among them goes from left to right, for elements are told from arrays by type. */
bool bind_is_array_chain(uint32_t nargs, Expr *const *args);
Status bind_array_chain(Binder *binder, const AstExpr *ast, uint32_t nargs, Expr **args,
                        Expr **out);
/* Field `index` (from 0) of a row. */
Status bind_row_field(Binder *binder, Expr *row, uint32_t index, Expr **out);
/* Binds a name as a column: *out, or NULL if there is none; no error but exhausted memory. */
Status bind_quietly(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
/* A name of several parts that is no column may be a column and fields of it: *out, or NULL. */
Status bind_dereference(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);

/* lambda.c */
/* The parameter of a lambda around with the name's first part, and fields of it: *out, or NULL. */
Status bind_variable(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
bool ast_has_lambda(const AstExpr *call);
/* A call some of whose arguments are lambdas. */
Status bind_lambda_call(Binder *binder, const ExprScope *scope, const AstExpr *ast, Str name,
                        Expr **out);

/* relation.c: is the join without a condition, or ON TRUE? */
bool bind_is_on_true(const AstRelation *join);
/* Why the right side of a join cannot use columns of the left one; NULL = it can. */
const char *bind_lateral_refused(const AstRelation *join);
/* unnest.c */
Status bind_unnest(Binder *binder, const AstRelation *relation, const CteScope *ctes,
                   const Scope *outer, Bound *out);
/* A join whose right side is UNNEST over columns of `left`. */
Status bind_unnest_join(Binder *binder, const AstRelation *join, const CteScope *ctes,
                        const Scope *outer, Bound *left, Bound *out);

/* subquery.c */
Status bind_scalar_query(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_exists(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_in_query(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
Status bind_quantified(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out);
/* row op row, where one side may be a sub-query of several columns; *done: it was such a comparison. */
Status bind_row_comparison(Binder *binder, const ExprScope *scope, const AstExpr *ast, Expr **out,
                           bool *done);
/* Numbers columns of grouping anew where a sub-query uses them as an enclosing query's: replace() gives the
 * expression of an EXPR_OUTER node, or NULL to keep it. */
Status bind_replace_outer(Binder *binder, const LogicalNode *plan,
                          Expr *(*replace)(void *context, const Expr *e), void *context,
                          LogicalNode **out);

/* literal.c */
Status bind_literal(Binder *binder, const AstExpr *ast, bool negative, Expr **out);

/* query.c */
Status bind_query(Binder *binder, const AstQuery *query, const CteScope *ctes, const Scope *outer,
                  Bound *out);
/* A query without its WITH, ORDER BY and LIMIT; a SELECT takes the latter two from `query` and says so. */
Status bind_query_body(Binder *binder, const AstBody *body, const AstQuery *query,
                       const CteScope *ctes, const Scope *outer, Bound *out, bool *ordered);
/* The columns of a side of a set operation in the common types, as a projection where one changes. */
Status bind_coerced(Binder *binder, const Bound *side, const Type *types, LogicalNode **out);
/* with.c: puts the expressions of WITH in front of those in scope. */
Status bind_with(Binder *binder, const AstQuery *query, const Scope *outer, const CteScope **ctes);
/* Those that nobody named are bound all the same: their errors count. */
Status bind_unused_ctes(Binder *binder, const AstQuery *query, const CteScope *ctes);
const CteScope *bind_find_cte(const CteScope *ctes, const AstQualifiedName *name);
Status bind_cte(Binder *binder, const CteScope *cte, AstPosition at, Bound *out);
/* No recursive query may be named below from now on; the ban before is to be put back. */
RecursionBan bind_ban_recursion(Binder *binder, const char *where);
/* relation.c */
Status bind_rename_columns(Binder *binder, Scope *scope, uint32_t count, const AstName *names,
                           AstPosition at);
Status bind_relation(Binder *binder, const AstRelation *relation, const CteScope *ctes,
                     const Scope *outer, Bound *out);
Status bind_table(Binder *binder, const AstQualifiedName *name, AstPosition at,
                  const CteScope *ctes, const AstName *alias, Bound *out);
/* select.c */
Status bind_select(Binder *binder, const AstSelect *select, const AstQuery *query,
                   const CteScope *ctes, const Scope *outer, Bound *out, bool *ordered);

/* Nodes. */
Status bind_node(Binder *binder, LogicalKind kind, uint32_t noutput, LogicalNode *child,
                 LogicalNode **out);
/* A node over a child with the child's output. */
Status bind_node_same(Binder *binder, LogicalKind kind, LogicalNode *child, LogicalNode **out);
Status bind_filter(Binder *binder, LogicalNode *child, Expr *condition, LogicalNode **out);
/* The node's conjuncts: those of the condition. */
Status bind_conjuncts(Binder *binder, LogicalNode *node, Expr *condition) WARN_UNUSED;
Status bind_new_column(Binder *binder, Str name, Type type, bool nullable, ColumnId *out);
Status bind_column(Binder *binder, ColumnId id, Expr **out);
/* The same column seen from a sub-query. */
Status bind_outer_column(Binder *binder, ColumnId id, Expr **out);
/* Sort keys over a node; keys that are not columns are computed first (and dropped by the caller). */
Status bind_distinct(Binder *binder, AstPosition at, LogicalNode *child, LogicalNode **out);
Status bind_limit(Binder *binder, const AstQuery *query, LogicalNode *child, LogicalNode **out);
bool bind_nullable(const Binder *binder, const Expr *e);

Status bind_unsupported(Binder *binder, AstPosition at, const char *what);
#define BIND_MAX_DEPTH (8 * SQL_MAX_DEPTH)
Status bind_enter(Binder *binder, AstPosition at); /* one level deeper */
void bind_leave(Binder *binder);

/* view.c */
Status bind_view(Binder *binder, const TableRef *table, AstPosition at, Bound *out);
Status bind_create_view(Binder *binder, const AstStatement *ast, BoundStatement *out);
Status bind_drop_view(Binder *binder, const AstStatement *ast, BoundStatement *out);

/* A scan of a described table, whose reference it takes over. */
Status bind_scan(Binder *binder, TableRef *table, const char *how, Bound *out);
/* table_function.c: TABLE(f(...)), without alias and column names. */
Status bind_table_function(Binder *binder, const AstRelation *r, Bound *out);

/* hint.c: two operands whose types do not fit; the first of a list that does not fit the one before it. Both
 * return `status`. */
Status bind_hint_types(Binder *binder, uint32_t nargs, Expr *const *args, Status status);
Status bind_hint_list(Binder *binder, uint32_t nargs, Expr *const *args, Status status);

/* show.c: lists, and statements about statements. */
Status bind_show(Binder *binder, const AstStatement *ast, BoundStatement *out);
Status bind_use(Binder *binder, const AstStatement *ast, BoundStatement *out);
Status bind_explain(Binder *binder, const AstStatement *ast, BoundStatement *out);
Status bind_describe(Binder *binder, const AstStatement *ast, BoundStatement *out);
Status bind_show_stats(Binder *binder, const AstStatement *ast, BoundStatement *out);

/* write.c: CREATE TABLE, CREATE TABLE AS, INSERT, DROP ... */
Status bind_write(Binder *binder, const AstStatement *ast, BoundStatement *out);
/* ddl.c: CREATE, DROP, ALTER TABLE, schemas, indexes, TRUNCATE. */
Status bind_ddl(Binder *binder, const AstStatement *ast, BoundStatement *out);
/* A table that need not exist: catalog and schema of its name. */
Status bind_target(Binder *binder, const AstStatement *ast, BoundStatement *out);
/* A table that must: found as in FROM, no view. The reference lives as long as the arena. */
Status bind_existing(Binder *binder, const AstQualifiedName *name, BoundStatement *out,
                     TableRef **table);

#endif
