/*
 * scan.h - what the files of the connector share: catalogs, plans, scans, writers, DDL.
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

/* The hidden column behind a table's own: bigint, unique in the table for ever. */
#define ROW_ID_NAME "$row_id"

/* HY010 if the table is no longer what was described. */
Status table_check(const MemTable *table, const TribTable *described, Error *err) WARN_UNUSED;

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
/* writer.c */
TribStatus memory_write_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                             TribWriter **out, TribError *err);
TribStatus memory_write_batch(TribWriter *writer, const TribBatch *batch, TribError *err);
TribStatus memory_write_close(TribWriter *writer, bool commit, uint64_t *rows, TribError *err);
/* ddl.c */
TribStatus memory_ddl(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err);

#endif
