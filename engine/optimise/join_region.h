/*
 * join_region.h - the relations of neighbouring joins, and what is asked of them, apart from the order in
 * which they were written.
 *
 * Relations are free (INNER, CROSS), or they depend: the right side of a LEFT, SEMI, ANTI, IN or MARK join
 * can be joined once all relations that its condition speaks of are there; it only adds columns to rows or
 * takes rows away by what stands in them, so that it commutes with the other joins. FULL joins, and
 * joins whose condition may raise, are relations as a whole.
 *
 * Equalities between free relations form classes: of a = b and b = c follows a = c. A class holds
 * within a set of relations if it was enforced once each time two parts of the set were joined.
 */
#ifndef TRIB_OPTIMISE_JOIN_REGION_H
#define TRIB_OPTIMISE_JOIN_REGION_H

#include "engine/optimise/rule.h"
#include "engine/plan/estimate.h"

#define REGION_RELATIONS 64 /* a set is a 64-bit mask; further joins become relations as a whole */

typedef uint64_t RelationSet;

typedef struct Relation {
    LogicalNode *node;
    const LogicalNode *join; /* dependent: the join that it was the right side of; NULL = free */
    RelationSet needs;       /* dependent: what must be joined before */
    double rows;
    bool single; /* gives one row at most */
} Relation;

/* One side of an equality. */
typedef struct RegionMember {
    Expr *e;
    uint32_t relation, class;
} RegionMember;

typedef struct RegionCondition {
    Expr *e;
    RelationSet set;
    bool is_key; /* an equality of members: enforced through its class */
    uint32_t left, right;
} RegionCondition;

typedef struct JoinRegion {
    RuleContext *context;
    RowMemo *memo;
    uint32_t count;
    Relation relations[REGION_RELATIONS];
    RelationSet adjacent[REGION_RELATIONS]; /* what has a condition in common with the relation */
    uint32_t nconditions, conditions_capacity;
    RegionCondition *conditions;
    uint32_t nmembers, members_capacity, nclasses;
    RegionMember *members;
    RelationSet *class_sets;
    uint32_t nrenamed, renamed_capacity;
    ColumnId *renamed; /* that projections between the joins gave to columns */
} JoinRegion;

/* A part of a region that has been joined. */
typedef struct JoinPart {
    RelationSet set;
    double rows, cost;
    LogicalNode *node; /* NULL while the search goes on */
} JoinPart;

/* Shared by all regions of a plan: arrays by ColumnId. */
typedef struct RegionScratch {
    uint32_t *relation_of;
    Expr **renames;
    uint32_t ncolumns;
} RegionScratch;

/* Is the node the top of a region: a join that may be ordered anew, below projections of columns and filters? */
bool region_begins(const LogicalNode *node);
/* Takes the region below `node` apart; `map` is applied to its relations. */
Status region_gather(JoinRegion *self, RuleContext *context, RowMemo *memo, RegionScratch *scratch,
                     LogicalNode *node, Status (*map)(void *state, LogicalNode *, LogicalNode **),
                     void *state) WARN_UNUSED;
/* Relations that have a condition in common with some of the set. */
RelationSet region_near(const JoinRegion *self, RelationSet set);
/* May two sets that are near each other be joined, b being the right side if only one of them can? */
bool region_joinable(const JoinRegion *self, RelationSet a, RelationSet b);
/* The cost of a join of two parts that gives so many rows, theirs included. */
double region_cost(const JoinRegion *self, const JoinPart *a, const JoinPart *b, double rows);
/* Set, rows and cost of a join of two parts. */
void region_estimate(const JoinRegion *self, const JoinPart *a, const JoinPart *b, JoinPart *out);
/* The join itself; out->set, rows and cost have been estimated. */
Status region_join(JoinRegion *self, const JoinPart *a, const JoinPart *b,
                   JoinPart *out) WARN_UNUSED;
/* Conditions without columns, and the columns as `like` puts them out. */
Status region_finish(JoinRegion *self, RegionScratch *scratch, const LogicalNode *like,
                     LogicalNode *joined, LogicalNode **out) WARN_UNUSED;

#endif
