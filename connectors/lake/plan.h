/*
 * plan.h - an accepted scan of one table: columns, file conditions, splits.
 *
 * Immutable but for the list of split lists, which its lock guards; reference-counted; any thread.
 */
#ifndef TRIB_LAKE_PLAN_H
#define TRIB_LAKE_PLAN_H

#include <pthread.h>
#include <stdatomic.h>

#include "connectors/lake/prune.h"

/* A range of one file, beginning and ending at records. */
typedef struct Piece {
    const TableFile *file;
    uint64_t begin, end;
} Piece;

typedef struct LakeSplit {
    uint32_t npieces;
    const Piece *pieces;
} LakeSplit;

typedef struct SplitList {
    struct SplitList *next;
    FileList files;
    uint32_t count;
    const TribSplit **list;
} SplitList;

typedef struct PlanOutput {
    PruneColumn column;
    uint32_t data; /* COLUMN_DATA: index into `data` */
} PlanOutput;

struct TribPlan {
    _Atomic uint32_t refs;
    Arena *arena;
    TribCatalog *catalog;
    const TableDef *def;
    Shape shape;
    uint32_t npartitions;
    const char **partitions;
    uint32_t noutput;
    PlanOutput *outputs;
    TribType *types;
    uint32_t ndata;
    FormatColumn *data;
    Prune prune;
    int64_t limit; /* < 0: none */
    const char *text, *note;
    pthread_mutex_t lock; /* guards lists */
    SplitList *lists;
};

TribStatus lake_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                     TribError *err);
void lake_plan_retain(TribPlan *plan);
void lake_plan_release(TribPlan *plan);

/* split.c */
TribStatus lake_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err);
void split_list_free(SplitList *list);

/* scan.c */
TribStatus lake_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                          TribScan **out, struct ArrowSchema *schema, TribError *err);
TribStatus lake_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err);
void lake_scan_cancel(TribScan *scan);
void lake_scan_stats(TribScan *scan, TribStats *stats);
void lake_scan_release(TribScan *scan);

#endif
