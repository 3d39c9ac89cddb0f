/*
 * write.h - what the statements that change rows share: their target, its columns, values as it takes them.
 */
#ifndef TRIB_BIND_WRITE_H
#define TRIB_BIND_WRITE_H

#include "engine/bind/scope.h"

/* HYC00 unless the catalog's connector takes rows; 25006 where its options forbid it. */
Status bind_writable(Binder *binder, Catalog *catalog, AstPosition at);
/* The same for a name, before any source is asked what it means: refused if all that it may mean is. */
Status bind_refuse_early(Binder *binder, const AstQualifiedName *q);
/* WRITE over the rows becomes the plan's root. `columns` are those of the table that rows carry. */
Status bind_write_node(Binder *binder, BoundStatement *out, LogicalNode *input, TribWriteKind kind,
                       TribTable *table, uint32_t ncolumns, uint32_t *columns);
/* The position of a named column in the table: 42S22. */
Status bind_target_column(Binder *binder, const TribTable *table, const AstName *name,
                          uint32_t *out);
/* The columns that an INSERT names, each once; none: all that are not hidden. */
Status bind_insert_columns(Binder *binder, uint32_t nnames, const AstName *names,
                           const TribTable *table, uint32_t *count, uint32_t **out);
/* Are there values of a type that CAST takes, and a column of the other must not? */
bool type_stored_checked(Type from, Type to);
/* CAST to the type of a column, but for what CAST lets pass: a double too large for real is 22003. NULL: out of memory. */
Expr *expr_stored(Arena *arena, Expr *value, Type type);
/* A value as the target column's type; an error at the position where it cannot be stored. */
Status bind_stored(Binder *binder, AstPosition at, const TribColumn *target, Expr *value,
                   Expr **out);
bool bind_is_default(const AstExpr *e);
/* The DEFAULT of a column as it was written: NULL for a column without one. Where the source computes it
 * (`host` false), a literal, which means the same everywhere; else refused. */
Status bind_default_tree(Binder *binder, const TribColumn *column, bool host, AstPosition at,
                         AstExpr **out);
/* The same, bound and as the column's type. */
Status bind_default(Binder *binder, const TribColumn *column, bool host, AstPosition at,
                    Expr **out);
/* Does the engine compute what is left out in this catalog's tables? */
Status bind_host_defaults(Binder *binder, Catalog *catalog, bool *answer);
/* What an INSERT into such a table leaves out is carried, too: all columns that are not hidden. */
Status bind_carry_defaults(Binder *binder, const TribTable *table, uint32_t given, uint32_t *n,
                           uint32_t **columns);
/* The new value of SET column = value. */
Status bind_assigned(Binder *binder, const ExprScope *scope, bool host, const TribColumn *column,
                     const AstAssignment *assignment, Expr **out);
/* The columns that assignments name, each once, from columns[0] on. */
Status bind_assigned_columns(Binder *binder, const TribTable *table, uint32_t count,
                             const AstAssignment *assignments, uint32_t *columns);
/* The target as a relation, under its alias if it has one. */
Status bind_target_rows(Binder *binder, const AstName *alias, TableRef *ref, Bound *out);

/* merge.c */
Status bind_merge(Binder *binder, const AstStatement *ast, BoundStatement *out);

#endif
