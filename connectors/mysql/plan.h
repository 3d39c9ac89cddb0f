/*
 * plan.h - accepted scans and their splits.
 *
 * A plan is immutable but for its splits, which are made once, at the first call of plan_splits, under
 * the plan's lock. Reference-counted; any thread.
 */
#ifndef TRIB_MYSQL_PLAN_H
#define TRIB_MYSQL_PLAN_H

#include <pthread.h>

#include "connectors/mysql/catalog.h"
#include "connectors/mysql/shippable.h"

/* One split: a condition on the key, and in consistent mode the connection that holds the snapshot. */
typedef struct PlanSplit {
    TribSplit split;
    SqlFragment condition;  /* len 0 = the whole table */
    bool snapshot;          /* must be read on `connection` */
    Connection *connection; /* taken by the scan; NULL afterwards. Guarded by the plan's lock */
} PlanSplit;

/* The integer key that a table may be split by. */
typedef struct SplitKey {
    const char *column; /* NULL = none */
    const char *reason; /* why none */
} SplitKey;

struct TribPlan {
    atomic_uint references;
    TribCatalog *catalog;
    Arena *arena;
    SqlSelect select;
    const char *schema, *table, *engine;
    double rows; /* of the table, < 0 unknown */
    SplitKey key;
    const char *text, *note;
    pthread_mutex_t lock; /* guards what follows, and the arena once the plan is built */
    bool split_done;
    PlanSplit *parts;
    const TribSplit **splits;
    uint32_t nsplits;
};

TribStatus plan_new(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                    TribError *err);
void plan_retain(TribPlan *self);
void plan_release(TribPlan *self);
TribStatus plan_splits(TribPlan *self, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err);
/* The connection of a snapshot split moves out; NULL if it was taken before. */
Connection *plan_take_connection(TribPlan *self, PlanSplit *part);

/* scan.c */
TribStatus scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                     TribScan **out, struct ArrowSchema *schema, TribError *err);
TribStatus scan_next(TribScan *self, uint32_t max_rows, TribBatch *batch, TribError *err);
void scan_cancel(TribScan *self);
void scan_stats(TribScan *self, TribStats *stats);
void scan_release(TribScan *self);
/* Binds and executes a statement on a guarded connection; the caller closes *statement in any case. */
Status statement_execute(Connection *connection, Guard *guard, Arena *arena, const SqlFragment *sql,
                         const TribValue *slots, uint32_t nslots, MYSQL_STMT **statement,
                         Error *err) WARN_UNUSED;

#endif
