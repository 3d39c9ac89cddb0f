/*
 * select.h - the state of binding one SELECT, between select.c and the files of its clauses.
 */
#ifndef TRIB_BIND_SELECT_H
#define TRIB_BIND_SELECT_H

#include "engine/bind/scope.h"

typedef struct SelectItem {
    Expr *expr;
    Str name;
    AstPosition at;
    bool hidden; /* only for ORDER BY */
} SelectItem;

/* GROUPING(...) over several grouping sets. */
typedef struct Grouping {
    struct Grouping *next;
    const Expr *expr;
    uint32_t *args; /* grouping expressions */
    ColumnId id;    /* behind the grouping */
} Grouping;

typedef struct SelectBinder {
    Binder *binder;
    const AstSelect *select;
    const CteScope *ctes;
    Scope scope;       /* of FROM */
    LogicalNode *node; /* grows upwards */
    uint32_t nitems, capacity;
    SelectItem *items; /* select list, then hidden sort expressions */
    uint32_t nvisible;
    uint32_t norder;
    uint32_t *order; /* [norder] index of the item sorted by */
    Expr *having;
    uint32_t ngroups;
    Expr **groups;
    uint32_t nsets, set_words;
    uint64_t **sets; /* bitmaps over groups */
    uint32_t ngroupings;
    Grouping *groupings;
    uint32_t naggregates, aggregate_capacity;
    Expr **aggregates;
    ColumnId *group_ids, *aggregate_ids;
    uint32_t id_capacity;
    WindowNames windows;
    Status status; /* of the rewriting pass */
} SelectBinder;

/* The scope of a clause's expressions: the columns of FROM. */
ExprScope select_scope(const SelectBinder *self, bool aggregates, const char *clause);
/* An ordinal as GROUP BY and ORDER BY take it: the select list's item. */
Status select_item_of_ordinal(SelectBinder *self, const AstExpr *ast, const char *clause,
                              uint32_t *out);

/* group.c: is there GROUP BY, HAVING or an aggregate? */
bool select_is_grouped(const SelectBinder *self);
/* Binds GROUP BY, puts the grouping above self->node and its columns into items and HAVING. */
Status select_group(SelectBinder *self);
bool select_has_aggregate(const Expr *e);

/* grouping_sets.c: binds GROUP BY: groups, sets. */
Status select_bind_groups(SelectBinder *self);
/* Is there one set only? */
bool select_plain_grouping(const SelectBinder *self);
bool select_in_all_sets(const SelectBinder *self, uint32_t group);
/* The column, or constant, that an EXPR_GROUPING is behind the grouping. */
Status select_grouping_column(SelectBinder *self, const Expr *e, Expr **out);
/* Puts the grouping by several sets above self->node. */
Status select_expand_sets(SelectBinder *self);

/* window.c: the names of the WINDOW clause, before anything else is bound. */
Status select_name_windows(SelectBinder *self);
/* window_plan.c: puts WINDOW nodes above self->node and their columns into the items. */
Status select_compute_windows(SelectBinder *self);

#endif
