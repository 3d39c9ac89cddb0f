/*
 * scan.c - plans and running scans.
 *
 * A plan keeps the SELECT in its parts. scan_open joins them with the split's range of the rowid and
 * the runtime filter, prepares, binds; scan_next steps row by row straight into the batch builder. One
 * statement is one snapshot of the file. Parallel ranges (parallel=relaxed) are a snapshot each.
 *
 * Threads: a scan holds its connection from open to release, so that cancel may interrupt it at any
 * moment in between. Memory: plan and scan each on an arena of their own; batches live on by
 * themselves.
 */
#include "connectors/sqlite/scan.h"

#include "engine/base/calendar.h"
#include "engine/base/decimal.h"
#include "engine/base/os.h"

/* ---------------------------------------------------------------- plans */

static void plan_free(TribPlan *plan) {
    pthread_mutex_destroy(&plan->lock);
    arena_free(plan->arena);
}

void lite_plan_retain(TribPlan *plan) {
    atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
}

void lite_plan_release(TribPlan *plan) {
    if (atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) == 1) plan_free(plan);
}

/* Rows after the filter, where that is plain; the engine estimates the rest from the columns. */
static double plan_rows(const TribOffer *offer, const SqlSelect *select) {
    double rows = offer->tables[0]->rows;
    if (rows < 0 || offer->nconjuncts || (select->taken & TRIB_TAKEN_GROUPING)) rows = -1;
    if ((select->taken & TRIB_TAKEN_LIMIT) && (rows < 0 || rows > (double)offer->limit))
        rows = (double)offer->limit;
    return rows;
}

static Status plan_fill(TribPlan *plan, TribOffer *offer, Error *err) {
    SqlFragment statement;
    TRY(sql_plan(&lite_dialect, plan->catalog, plan->arena, offer, &plan->select, err));
    TRY(sql_select_join(plan->arena, &plan->select, NULL, 0, &statement, err));
    TRY_ALLOC(plan->text, sql_explain(plan->arena, &statement), err);
    const TribTable *table = offer->tables[0];
    const char *rowid = lite_rowid_name(table->facts);
    TRY_ALLOC(plan->table, arena_strdup(plan->arena, table->name), err);
    if (rowid) TRY_ALLOC(plan->rowid, arena_strdup(plan->arena, rowid), err);
    plan->rows = plan_rows(offer, &plan->select);
    offer->text = plan->text;
    offer->note = plan->catalog->parallel == PARALLEL_RELAXED ? "parallel=relaxed" : "parallel=off";
    offer->rows = plan->rows;
    return TRIB_OK;
}

TribStatus lite_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                     TribError *err) {
    Arena *arena;
    TribPlan *plan;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    plan = ARENA_NEW(arena, TribPlan);
    if (!plan) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    plan->arena = arena;
    plan->catalog = catalog;
    atomic_init(&plan->refs, 1);
    pthread_mutex_init(&plan->lock, NULL);
    Status status = plan_fill(plan, offer, err);
    if (status != TRIB_OK) {
        plan_free(plan);
        return error_source(err, catalog->name);
    }
    *out = plan;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- splits */

enum { RANGE_ROWS_MIN = 20000 }; /* smaller ranges do not pay for a connection */

static Status rowid_bounds(TribPlan *plan, TribCall *call, int64_t *low, int64_t *high, bool *any,
                           Error *err) {
    LiteDb *db;
    Buf sql;
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    buf_init(&sql, plan->arena, 1024 * 1024);
    /* Two sub-queries: each is a seek; min and max together would scan. */
    for (int i = 0; i < 2; i++) {
        buf_printf(&sql, "%s(SELECT %s(%s) FROM main.", i ? ", " : "SELECT ", i ? "max" : "min",
                   plan->rowid);
        lite_dialect.quote(&sql, str_from(plan->table));
        buf_char(&sql, ')');
    }
    TRY(buf_status(&sql, err));
    TRY(lite_take(plan->catalog, call, NULL, &db, err));
    Status status = lite_prepare(plan->catalog, db, sql.data, sql.len, &stmt, err);
    if (status == TRIB_OK) status = lite_step(plan->catalog, db, stmt, &row, err);
    *any = status == TRIB_OK && row && sqlite3_column_type(stmt, 0) == SQLITE_INTEGER;
    if (*any) {
        *low = sqlite3_column_int64(stmt, 0);
        *high = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    lite_give(plan->catalog, db);
    return status;
}

static Status splits_build(TribPlan *plan, uint32_t count, int64_t low, int64_t high,
                           const TribSplit ***out, Error *err) {
    const TribSplit **splits;
    TRY_ALLOC(splits, ARENA_ARRAY(plan->arena, const TribSplit *, count), err);
    Int128 width = ((Int128)high - low) / count + 1;
    for (uint32_t i = 0; i < count; i++) {
        TribSplit *split;
        LiteRange *range;
        TRY_ALLOC(split, ARENA_NEW(plan->arena, TribSplit), err);
        TRY_ALLOC(range, ARENA_NEW(plan->arena, LiteRange), err);
        *range = (LiteRange){.has_low = i > 0, .has_high = i + 1 < count};
        if (range->has_low) range->low = (int64_t)(low + width * i);
        if (range->has_high) range->high = (int64_t)(low + width * (i + 1));
        *split = (TribSplit){
            .size = sizeof *split, .data = range, .rows = plan->rows < 0 ? -1 : plan->rows / count};
        if (count > 1) {
            TRY_ALLOC(split->text, arena_printf(plan->arena, "rowid range %u of %u", i + 1, count),
                      err);
        }
        splits[i] = split;
    }
    *out = splits;
    return TRIB_OK;
}

static Status splits_plan(TribPlan *plan, TribCall *call, uint32_t wanted, const TribSplit ***out,
                          uint32_t *count, Error *err) {
    int64_t low = 0, high = 0;
    bool any = false;
    uint32_t most = pool_max(plan->catalog->pool);
    *count = 1;
    if (wanted > 1 && most > 1 && plan->catalog->parallel == PARALLEL_RELAXED && plan->rowid &&
        !plan->select.taken) {
        TRY(rowid_bounds(plan, call, &low, &high, &any, err));
        double ranges = any ? ((double)high - (double)low) / RANGE_ROWS_MIN : 1;
        uint32_t parts = wanted < most ? wanted : most;
        if (ranges < parts) parts = ranges < 1 ? 1 : (uint32_t)ranges;
        *count = parts;
    }
    return splits_build(plan, *count, low, high, out, err);
}

TribStatus lite_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                       const TribSplit *const **out, uint32_t *count, TribError *err) {
    const TribSplit **splits = NULL;
    pthread_mutex_lock(&plan->lock);
    Status status = splits_plan(plan, call, wanted, &splits, count, err);
    pthread_mutex_unlock(&plan->lock);
    *out = splits;
    return status;
}

/* ---------------------------------------------------------------- opening a scan */

static Status range_fragment(TribScan *scan, const LiteRange *range, SqlFragment *out, Error *err) {
    Buf text;
    SqlParam *params;
    uint32_t count = 0;
    memset(out, 0, sizeof *out);
    if (!range || (!range->has_low && !range->has_high)) return TRIB_OK;
    TRY_ALLOC(params, ARENA_ARRAY(scan->arena, SqlParam, 2), err);
    buf_init(&text, scan->arena, 1024);
    for (int high = 0; high < 2; high++) {
        if (high ? !range->has_high : !range->has_low) continue;
        buf_printf(&text, "%s%s %s ", count ? " AND " : "", scan->plan->rowid, high ? "<" : ">=");
        params[count] = (SqlParam){.at = text.len, .type = {.id = TRIB_TYPE_BIGINT}};
        params[count].value = (TribValue){.type = {.id = TRIB_TYPE_BIGINT}};
        params[count++].value.as.integer = high ? range->high : range->low;
        buf_char(&text, '?');
    }
    TRY(buf_status(&text, err));
    *out = (SqlFragment){text.data, text.len, count, params};
    return TRIB_OK;
}

static Status filter_fragments(TribScan *scan, TribFilter *filter, SqlFragment *out,
                               uint32_t *count, Error *err) {
    uint32_t nkeys = 0;
    const TribFilterKey *keys = NULL;
    enum { MOST_KEYS = 16, SPARE_PARAMS = 1024 };
    if (!filter || !filter->ready || !filter->ready(filter, &nkeys, &keys)) return TRIB_OK;
    uint32_t used = scan->plan->select.where.nparams + scan->plan->select.head.nparams +
                    scan->plan->select.tail.nparams;
    uint32_t budget = lite_dialect.max_params > used + SPARE_PARAMS
                          ? lite_dialect.max_params - used - SPARE_PARAMS
                          : 0;
    for (uint32_t i = 0; i < nkeys && *count < MOST_KEYS; i++) {
        TRY(sql_filter(&lite_dialect, scan->catalog, scan->arena, &scan->plan->select, &keys[i],
                       budget / nkeys, &out[*count], err));
        if (out[*count].len) (*count)++;
    }
    return TRIB_OK;
}

static int bind_text(sqlite3_stmt *stmt, int at, const char *data, size_t length) {
    return sqlite3_bind_text64(stmt, at, data ? data : "", length, SQLITE_STATIC, SQLITE_UTF8);
}

Status lite_bind_parameter(TribCatalog *catalog, LiteDb *db, sqlite3_stmt *stmt, int at,
                           const TribValue *value, Error *err) {
    int rc;
    char text[CALENDAR_TEXT_MAX];
    size_t length;
    if (value->is_null)
        return sqlite3_bind_null(stmt, at) == SQLITE_OK ? TRIB_OK : error_out_of_memory(err);
    switch (value->type.id) {
    case TRIB_TYPE_BOOLEAN:
    case TRIB_TYPE_TINYINT:
    case TRIB_TYPE_SMALLINT:
    case TRIB_TYPE_INTEGER:
    case TRIB_TYPE_BIGINT: rc = sqlite3_bind_int64(stmt, at, value->as.integer); break;
    case TRIB_TYPE_DOUBLE: rc = sqlite3_bind_double(stmt, at, value->as.real); break;
    case TRIB_TYPE_DECIMAL:
        rc = sqlite3_bind_double(stmt, at, decimal_to_double(value->as.integer, value->type.scale));
        break;
    case TRIB_TYPE_CHAR: {
        TribValue unpadded = *value;
        lite_unpad(&unpadded);
        rc = bind_text(stmt, at, unpadded.as.text.data, unpadded.as.text.length);
        break;
    }
    case TRIB_TYPE_VARCHAR:
        rc = bind_text(stmt, at, value->as.text.data, value->as.text.length);
        break;
    case TRIB_TYPE_VARBINARY:
        rc = sqlite3_bind_blob64(stmt, at, value->as.text.data ? value->as.text.data : "",
                                 value->as.text.length, SQLITE_STATIC);
        break;
    case TRIB_TYPE_DATE:
        length = date_format_iso((int32_t)value->as.integer, text);
        rc = sqlite3_bind_text(stmt, at, text, (int)length, SQLITE_TRANSIENT);
        break;
    default:
        return error_set(err, ERR_GENERAL, "a parameter of type id %u cannot be bound",
                         value->type.id);
    }
    return rc == SQLITE_OK ? TRIB_OK : lite_error(catalog, db, rc, "a parameter was refused", err);
}

static Status scan_bind(TribScan *scan, const SqlFragment *statement,
                        const TribScanRequest *request, Error *err) {
    for (uint32_t i = 0; i < statement->nparams; i++) {
        const SqlParam *param = &statement->params[i];
        const TribValue *value = &param->value;
        if (param->is_slot) {
            if (param->slot >= request->nparams) {
                return error_set(err, ERR_PARAM_COUNT, "parameter %u has no value",
                                 param->slot + 1);
            }
            value = &request->params[param->slot];
        }
        TRY(lite_bind_parameter(scan->catalog, scan->db, scan->stmt, (int)i + 1, value, err));
    }
    return TRIB_OK;
}

static Status scan_prepare(TribScan *scan, const TribScanRequest *request, Error *err) {
    SqlFragment extra[1 + 16], statement;
    uint32_t nextra = 0;
    const LiteRange *range = request->split ? request->split->data : NULL;
    TRY(range_fragment(scan, range, &extra[0], err));
    if (extra[0].len) nextra++;
    TRY(filter_fragments(scan, request->filter, extra, &nextra, err));
    TRY(sql_select_join(scan->arena, &scan->plan->select, extra, nextra, &statement, err));
    TRY(lite_take(scan->catalog, scan->call, &scan->cancelled, &scan->db, err));
    TRY(lite_prepare(scan->catalog, scan->db, statement.text, statement.len, &scan->stmt, err));
    return scan_bind(scan, &statement, request, err);
}

static Status scan_columns(TribScan *scan, const TribScanRequest *request, Error *err) {
    const SqlSelect *select = &scan->plan->select;
    TribType *types;
    scan->ncolumns = select->noutput;
    TRY_ALLOC(types, ARENA_ARRAY(scan->arena, TribType, scan->ncolumns), err);
    TRY_ALLOC(scan->columns, ARENA_ARRAY(scan->arena, LiteColumn, scan->ncolumns), err);
    for (uint32_t i = 0; i < scan->ncolumns; i++) {
        const SqlOutput *output = &select->outputs[i];
        LiteColumn *column = &scan->columns[i];
        types[i] = output->type;
        column->kind = output->name ? lite_facts(output->facts).kind : lite_kind_of(output->type);
        column->name = output->name ? output->name : "(expression)";
        column->declared =
            output->declared && *output->declared ? output->declared : "without a type";
        if (column->kind == KIND_INTEGER && lite_kind_of(types[i]) != KIND_INTEGER) {
            return error_set(err, ERR_GENERAL, "column \"%s\" is not described as an integer",
                             column->name);
        }
    }
    uint32_t rows = request->batch_rows ? request->batch_rows : 2048;
    uint64_t bytes = request->batch_bytes ? request->batch_bytes : 1024 * 1024;
    return batch_builder_new(scan->catalog->host, types, scan->ncolumns, rows, bytes,
                             &scan->builder, err);
}

TribStatus lite_scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                          TribScan **out, struct ArrowSchema *schema, TribError *err) {
    Arena *arena;
    TribScan *scan;
    *out = NULL;
    memset(schema, 0, sizeof *schema);
    TRY_ALLOC(arena, arena_new(NULL), err);
    scan = ARENA_NEW(arena, TribScan);
    if (!scan) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    scan->arena = arena;
    scan->catalog = catalog;
    scan->call = call;
    scan->plan = (TribPlan *)request->plan;
    lite_plan_retain(scan->plan);
    Status status = scan_columns(scan, request, err);
    if (status == TRIB_OK) status = scan_prepare(scan, request, err);
    if (status != TRIB_OK) {
        lite_scan_release(scan);
        return error_source(err, catalog->name);
    }
    *out = scan;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading */

static Status scan_stopped(TribScan *scan, Error *err) {
    TRY(call_check(scan->call, scan->catalog->name, err));
    if (!atomic_load_explicit(&scan->cancelled, memory_order_relaxed)) return TRIB_OK;
    error_set(err, ERR_CANCELLED, "the query was cancelled");
    return error_source(err, scan->catalog->name);
}

static Status scan_fill(TribScan *scan, uint32_t most, Error *err) {
    bool row;
    TRY(batch_begin(scan->builder, err));
    while (scan->builder->rows < most && !batch_full(scan->builder)) {
        TRY(lite_step(scan->catalog, scan->db, scan->stmt, &row, err));
        if (!row) {
            scan->done = true;
            sqlite3_reset(scan->stmt); /* ends the read transaction: writers may go on */
            lite_read_warn(scan);
            break;
        }
        TRY(lite_read_row(scan, err));
    }
    return TRIB_OK;
}

TribStatus lite_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err) {
    memset(batch, 0, sizeof *batch);
    if (scan->done) return TRIB_OK;
    TRY(scan_stopped(scan, err));
    int64_t start = os_now_ns();
    uint32_t most =
        max_rows && max_rows < scan->builder->max_rows ? max_rows : scan->builder->max_rows;
    Status status = scan_fill(scan, most, err);
    scan->wait_ns += os_now_ns() - start;
    if (status != TRIB_OK) {
        scan->done = true;
        sqlite3_reset(scan->stmt);
        return error_source(err, scan->catalog->name);
    }
    uint32_t rows = scan->builder->rows;
    if (!rows) return TRIB_OK;
    scan->rows += rows;
    scan->bytes += rows * scan->builder->row_width + scan->builder->text_bytes;
    batch_finish(scan->builder, batch);
    return TRIB_OK;
}

void lite_scan_cancel(TribScan *scan) {
    atomic_store_explicit(&scan->cancelled, true, memory_order_relaxed);
    sqlite3_interrupt(scan->db->db);
}

void lite_scan_stats(TribScan *scan, TribStats *stats) {
    stats->rows = scan->rows;
    stats->bytes = scan->bytes;
    stats->requests = 1;
    stats->retries = 0;
    stats->wait_ns = scan->wait_ns;
}

void lite_scan_release(TribScan *scan) {
    if (scan->columns) lite_read_warn(scan);
    batch_builder_free(scan->builder);
    sqlite3_finalize(scan->stmt);
    if (scan->db) lite_give(scan->catalog, scan->db);
    lite_plan_release(scan->plan);
    arena_free(scan->arena);
}
