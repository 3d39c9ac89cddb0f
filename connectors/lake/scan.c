/*
 * scan.c - a running scan of one split: its pieces one after the other, into batches.
 *
 * A batch may hold rows of several small files. Columns of the file are converted by its format;
 * partition columns, "$path" and "$file_size" are written once per piece and batch and repeated.
 *
 * Memory: the format's block and the builder's batches, from the host. One thread at a time; cancelling
 * sets a flag, and what blocks watches the call's cancellation itself.
 */
#include <inttypes.h>

#include "connectors/lake/plan.h"

struct TribScan {
    TribPlan *plan;
    TribCall *call;
    const LakeSplit *split;
    TribFilter *filter;
    uint32_t piece;    /* the next one */
    const Piece *open; /* whose rows are being read */
    FormatFile *file;
    BatchBuilder *builder;
    Arena *arena;         /* of the open piece */
    TribValue *constants; /* per output */
    StoreStats stats;
    Mismatches mismatches;
    int64_t left; /* rows until the limit; INT64_MAX = none */
    uint64_t rows;
    atomic_bool cancelled;
    bool warned;
};

void lake_scan_release(TribScan *scan) {
    if (scan->file) format_of(scan->plan->shape.format)->close(scan->file);
    batch_builder_free(scan->builder);
    arena_free(scan->arena);
    heap_free(scan->constants);
    lake_plan_release(scan->plan);
    heap_free(scan);
}

TribStatus lake_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                          TribScan **out, struct ArrowSchema *schema, TribError *err) {
    TribPlan *plan = (TribPlan *)request->plan;
    const TribSplit *split = request->split;
    TribScan *scan;
    *out = NULL;
    memset(schema, 0, sizeof *schema); /* release == NULL: the canonical layout */
    if (!split || !split->data) {      /* all of it */
        const TribSplit *const *splits;
        uint32_t count;
        TRY(lake_splits(plan, call, 1, &splits, &count, err));
        split = splits[0];
    }
    TRY_ALLOC(scan, heap_alloc(sizeof *scan), err);
    lake_plan_retain(plan);
    scan->plan = plan;
    scan->call = call;
    scan->split = split->data;
    scan->filter = request->filter;
    scan->left = plan->limit >= 0 ? plan->limit : INT64_MAX;
    atomic_init(&scan->cancelled, false);
    scan->arena = arena_new(NULL);
    scan->constants = heap_alloc(sizeof(TribValue) * (plan->noutput + 1));
    Status status = scan->arena && scan->constants ? TRIB_OK : error_out_of_memory(err);
    if (status == TRIB_OK)
        status = batch_builder_new(catalog->host, plan->types, plan->noutput, request->batch_rows,
                                   request->batch_bytes, &scan->builder, err);
    if (status != TRIB_OK) {
        lake_scan_release(scan);
        return error_source(err, catalog->name);
    }
    *out = scan;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- pieces */

static bool key_has(const TribFilterKey *key, const TribValue *value) {
    if (value->is_null) return false; /* no key of a join equals NULL */
    if (!key->complete) return true;
    for (size_t i = 0; i < key->nvalues; i++) {
        if (prune_compare(&key->values[i], value) == 0) return true;
    }
    return false;
}

/* Can a row of the piece match what the join's other side holds? */
static bool filter_passes(const TribScan *scan) {
    uint32_t nkeys = 0;
    const TribFilterKey *keys = NULL;
    if (!scan->filter || !scan->filter->ready(scan->filter, &nkeys, &keys)) return true;
    for (uint32_t i = 0; i < nkeys; i++) {
        if (keys[i].output >= scan->plan->noutput) continue;
        const PruneColumn *column = &scan->plan->outputs[keys[i].output].column;
        bool known = column->kind == COLUMN_PARTITION && column->type.id != TRIB_TYPE_DOUBLE &&
                     column->type.id != TRIB_TYPE_CHAR;
        if (known && !key_has(&keys[i], &scan->constants[keys[i].output])) return false;
    }
    return true;
}

static Status constants_fill(TribScan *scan, const Piece *piece, Error *err) {
    arena_reset(scan->arena);
    for (uint32_t i = 0; i < scan->plan->noutput; i++) {
        const PruneColumn *column = &scan->plan->outputs[i].column;
        if (column->kind == COLUMN_DATA) continue;
        TRY(prune_value(column, scan->plan->def->store->scheme, piece->file, scan->arena,
                        &scan->constants[i], err));
    }
    return TRIB_OK;
}

static Status piece_open(TribScan *scan, const Piece *piece, Error *err) {
    TribPlan *plan = scan->plan;
    TRY(constants_fill(scan, piece, err));
    if (!filter_passes(scan)) return TRIB_OK;
    FormatParams params = {
        .host = plan->catalog->host,
        .catalog = plan->catalog->name,
        .call = scan->call,
        .store = plan->def->store,
        .shape = &plan->shape,
        .range = {&piece->file->object, piece->begin, piece->end, &scan->stats, false},
        .columns = plan->data,
        .ncolumns = plan->ndata,
        .builder = scan->builder,
        .mismatches = &scan->mismatches};
    scan->open = piece;
    return format_of(plan->shape.format)->open(&params, &scan->file, err);
}

static void piece_close(TribScan *scan) {
    format_of(scan->plan->shape.format)->close(scan->file);
    scan->file = NULL;
    scan->open = NULL;
}

/* ---------------------------------------------------------------- rows */

static Status constant_write(TribScan *scan, uint32_t output, uint32_t from, uint32_t count,
                             Error *err) {
    BatchColumn *column = &scan->builder->columns[output];
    const TribValue *value = &scan->constants[output];
    if (value->is_null) {
        for (uint32_t i = 0; i < count; i++) batch_set_null(column, from + i);
        return TRIB_OK;
    }
    TRY(batch_value(scan->builder, output, from, value, err));
    for (uint32_t i = 1; i < count; i++) {
        if (column->width)
            memcpy((char *)column->values + (size_t)(from + i) * column->width,
                   (char *)column->values + (size_t)from * column->width, column->width);
        else
            batch_set_bool(column, from + i, value->as.integer != 0);
    }
    return TRIB_OK;
}

static Status rows_append(TribScan *scan, uint32_t most, uint32_t *rows, Error *err) {
    uint32_t from = scan->builder->rows;
    if (scan->left < most) most = (uint32_t)scan->left;
    TRY(format_of(scan->plan->shape.format)->next(scan->file, most, rows, err));
    for (uint32_t i = 0; i < scan->plan->noutput && *rows; i++) {
        if (scan->plan->outputs[i].column.kind != COLUMN_DATA)
            TRY(constant_write(scan, i, from, *rows, err));
    }
    scan->left -= *rows;
    return TRIB_OK;
}

static Status batch_fill(TribScan *scan, uint32_t max_rows, Error *err) {
    BatchBuilder *builder = scan->builder;
    if (builder->max_rows < max_rows) max_rows = builder->max_rows;
    while (builder->rows < max_rows && !batch_full(builder) && scan->left > 0) {
        uint32_t rows;
        if (!scan->file) {
            if (scan->piece == scan->split->npieces) return TRIB_OK;
            TRY(call_check(scan->call, scan->plan->catalog->name, err));
            TRY(piece_open(scan, &scan->split->pieces[scan->piece++], err));
            if (!scan->file) continue; /* the filter dropped it */
        }
        TRY(rows_append(scan, max_rows - builder->rows, &rows, err));
        if (rows == 0) piece_close(scan);
    }
    return TRIB_OK;
}

static void mismatches_tell(TribScan *scan) {
    if (scan->warned || scan->mismatches.count == 0) return;
    scan->warned = true;
    call_warn(scan->call, "%" PRIu64 " values were read as NULL; the first: %s",
              scan->mismatches.count, scan->mismatches.first);
}

TribStatus lake_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err) {
    const char *name = scan->plan->catalog->name;
    memset(batch, 0, sizeof *batch); /* release == NULL: the end */
    TRY(call_check(scan->call, name, err));
    if (atomic_load(&scan->cancelled)) {
        error_set(err, ERR_CANCELLED, "the query was cancelled");
        return error_source(err, name);
    }
    TRY(batch_begin(scan->builder, err));
    Status status = batch_fill(scan, max_rows, err);
    if (status != TRIB_OK) return error_source(err, name);
    if (scan->builder->rows == 0) {
        mismatches_tell(scan);
        return TRIB_OK;
    }
    scan->rows += scan->builder->rows;
    batch_finish(scan->builder, batch);
    return TRIB_OK;
}

void lake_scan_cancel(TribScan *scan) {
    atomic_store(&scan->cancelled, true);
}

void lake_scan_stats(TribScan *scan, TribStats *stats) {
    stats->rows = scan->rows;
    stats->bytes = scan->stats.bytes;
    stats->requests = scan->stats.requests;
    stats->retries = scan->stats.retries;
    stats->wait_ns = scan->stats.wait_ns;
}
