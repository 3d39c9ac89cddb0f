/*
 * scan.h - plans and scans over tables in memory.
 *
 * Everything here is part of the connector's table of functions (memory.c); the contracts are those of
 * tributary_connector.h.
 */
#ifndef TRIB_MEMORY_SCAN_H
#define TRIB_MEMORY_SCAN_H

#include "connectors/memory/store.h"

/* An opened catalog. */
struct TribCatalog {
    const TribHost *host;
    MemCatalog *store;
    const char *name;
};

struct TribTx {
    MemTx *tx;
};

TribStatus memory_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                       TribError *err);
void memory_plan_retain(TribPlan *plan);
void memory_plan_release(TribPlan *plan);
TribStatus memory_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                         const TribSplit *const **out, uint32_t *count, TribError *err);
TribStatus memory_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                            TribScan **out, struct ArrowSchema *schema, TribError *err);
TribStatus memory_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err);
void memory_scan_cancel(TribScan *scan);
void memory_scan_stats(TribScan *scan, TribStats *stats);
void memory_scan_release(TribScan *scan);

#endif
