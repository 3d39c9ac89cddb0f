/*
 * template.c - a complete small connector, meant to be copied.
 *
 * It serves one table of numbers that it makes up: main.numbers(n, square, even, name, half, day) with
 * n = 1 .. rows. It shows everything a connector has to do: options, metadata, verdicts, a plan that
 * outlives the offer, splits, a scan that honours cancellation and deadline, batches that outlive the
 * scan. What a real source adds is I/O; connectors/sqlite is the next larger example.
 *
 * Push-down: comparisons of n with constants narrow the range of n and are EXACT; everything else is
 * NONE, with the reason. A LIMIT is taken if every conjunct was EXACT (docs/pushdown.md says why).
 *
 * Threads: catalog and plan are immutable (the plan is counted); a scan has one user at a time, except
 * that scan_cancel comes from anywhere. Memory: an arena each; batches come from support's builder.
 */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "connectors/support/batch_builder.h"
#include "connectors/support/call.h"
#include "connectors/support/options.h"

/* ---------------------------------------------------------------- options and catalog */

static const TribOptionDef options_table[] = {
    {.name = "rows",
     .kind = TRIB_OPTION_INTEGER,
     .default_value = "1000",
     .min = 0,
     .max = 1000000000,
     .help = "how many numbers the table holds"},
    {.name = NULL},
};

struct TribCatalog {
    Arena *arena; /* holds the catalog itself */
    const TribHost *host;
    const char *name;
    int64_t rows;
};

static TribStatus catalog_open(const TribHost *host, const char *name, const TribOption *values,
                               uint32_t count, TribCatalog **out, TribError *err) {
    Options options;
    Arena *arena;
    *out = NULL;
    TRY(options_init(&options, name, options_table, values, count, err));
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribCatalog *catalog = ARENA_NEW(arena, TribCatalog);
    if (catalog)
        *catalog = (TribCatalog){arena, host, arena_strdup(arena, name),
                                 option_integer(&options, "rows", 0)};
    if (!catalog || !catalog->name) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    *out = catalog;
    return TRIB_OK;
}

static void catalog_close(TribCatalog *catalog) {
    arena_free(catalog->arena);
}

static TribStatus catalog_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                                TribError *err) {
    TRY(call_check(call, catalog->name, err));
    snprintf(text, size, "a table of %" PRId64 " numbers", catalog->rows);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- metadata */

enum { COLUMN_N, COLUMN_SQUARE, COLUMN_EVEN, COLUMN_NAME, COLUMN_HALF, COLUMN_DAY, COLUMN_COUNT };

#define COLUMN(of, text, ...) \
    [COLUMN_##of] = {.name = text, .distinct = -1, .null_fraction = -1, .type = {__VA_ARGS__}}

static const TribColumn columns[COLUMN_COUNT] = {
    COLUMN(N, "n", .id = TRIB_TYPE_BIGINT),
    COLUMN(SQUARE, "square", .id = TRIB_TYPE_DECIMAL, .precision = 20),
    COLUMN(EVEN, "even", .id = TRIB_TYPE_BOOLEAN),
    [COLUMN_NAME] = {.name = "name",
                     .nullable = true,
                     .distinct = -1,
                     .null_fraction = 1.0 / 7,
                     .type = {.id = TRIB_TYPE_VARCHAR}}, /* NULL for every seventh */
    COLUMN(HALF, "half", .id = TRIB_TYPE_DOUBLE),
    COLUMN(DAY, "day", .id = TRIB_TYPE_DATE),
};

static TribStatus list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                               TribError *err) {
    names->schema(names->self, "main");
    return TRIB_OK;
}

static TribStatus list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                              TribNames *names, TribError *err) {
    if (!schema || strcmp(schema, "main") == 0)
        names->table(names->self, "main", "numbers", TRIB_TABLE_BASE, NULL);
    return TRIB_OK;
}

static TribStatus describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                                 const char *name, TribNames *names, TribError *err) {
    static const uint32_t key_columns[] = {COLUMN_N};
    static const TribKey key = {"PRIMARY KEY", true, true, 1, key_columns};
    if (strcmp(schema, "main") != 0 || strcmp(name, "numbers") != 0) {
        error_set(err, ERR_TABLE_NOT_FOUND, "there is no table \"%s\".\"%s\"", schema, name);
        return error_source(err, catalog->name);
    }
    TribTable table = {.size = sizeof table,
                       .schema = "main",
                       .name = "numbers",
                       .ncolumns = COLUMN_COUNT,
                       .columns = columns,
                       .nkeys = 1,
                       .keys = &key,
                       .rows = (double)catalog->rows};
    return names->described(names->self, &table, err);
}

/* ---------------------------------------------------------------- plans */

typedef struct Range {
    int64_t low, high; /* low <= n <= high */
} Range;

/* Keeps nothing of the offer: which column each output is, and the range of n. */
struct TribPlan {
    _Atomic uint32_t refs;
    Arena *arena;
    TribCatalog *catalog;
    uint32_t noutput;
    uint32_t *outputs; /* indexes into columns */
    TribType *types;
    Range range;
    int64_t limit; /* < 0: none */
    Range *ranges; /* of the splits, made with the plan: splits() only hands them out */
    TribSplit *splits;
    const TribSplit **split_list;
    uint32_t nsplits;
};

enum { SPLITS_MOST = 8 };

/* The constant of `n op constant`; NULL if the conjunct is anything else. */
static const TribValue *comparison_constant(const TribOffer *offer, const TribNode *call) {
    if (call->kind != TRIB_NODE_CALL || call->count != 2) return NULL;
    const TribNode *left = &offer->nodes[call->first], *right = left + 1;
    if (left->kind != TRIB_NODE_COLUMN || left->ref != COLUMN_N) return NULL;
    if (right->kind != TRIB_NODE_LITERAL || right->type.id != TRIB_TYPE_BIGINT) return NULL;
    return &offer->values[right->ref];
}

/* Narrows the range by one conjunct if that can be done exactly. */
static TribVerdict conjunct_apply(const TribOffer *offer, uint32_t node, Range *range) {
    TribVerdict none = {TRIB_NONE, "not a comparison of n with a constant"};
    const TribNode *call = &offer->nodes[node];
    const TribValue *constant = comparison_constant(offer, call);
    if (!constant || offer->mode == TRIB_PUSHDOWN_OFF) return none;
    Range allowed = {INT64_MIN, INT64_MAX};
    int64_t value = constant->as.integer;
    bool empty = constant->is_null; /* a comparison with NULL is never true */
    switch (call->op) {
    case TRIB_FN_eq: allowed = (Range){value, value}; break;
    case TRIB_FN_le: allowed.high = value; break;
    case TRIB_FN_ge: allowed.low = value; break;
    case TRIB_FN_lt:
        empty |= value == INT64_MIN;
        allowed.high = empty ? 0 : value - 1;
        break;
    case TRIB_FN_gt:
        empty |= value == INT64_MAX;
        allowed.low = empty ? 0 : value + 1;
        break;
    default: return none;
    }
    if (empty) allowed = (Range){1, 0};
    if (allowed.low > range->low) range->low = allowed.low;
    if (allowed.high < range->high) range->high = allowed.high;
    return (TribVerdict){TRIB_EXACT, ""};
}

/* Cuts the range into splits that can be read on their own. */
static Status plan_splits(TribPlan *plan, Error *err) {
    int64_t total = plan->range.high - plan->range.low + 1;
    plan->nsplits = plan->limit >= 0 || total < SPLITS_MOST ? 1 : SPLITS_MOST;
    TRY_ALLOC(plan->ranges, ARENA_ARRAY(plan->arena, Range, plan->nsplits), err);
    TRY_ALLOC(plan->splits, ARENA_ARRAY(plan->arena, TribSplit, plan->nsplits), err);
    TRY_ALLOC(plan->split_list, ARENA_ARRAY(plan->arena, const TribSplit *, plan->nsplits), err);
    int64_t low = plan->range.low;
    for (uint32_t i = 0; i < plan->nsplits; i++) {
        int64_t high = i + 1 == plan->nsplits
                           ? plan->range.high
                           : plan->range.low + total / plan->nsplits * (i + 1) - 1;
        plan->ranges[i] = (Range){low, high};
        plan->splits[i] = (TribSplit){
            .size = sizeof(TribSplit), .data = &plan->ranges[i], .rows = (double)(high - low + 1)};
        plan->split_list[i] = &plan->splits[i];
        low = high + 1;
    }
    return TRIB_OK;
}

static Status plan_fill(TribPlan *plan, TribOffer *offer, Error *err) {
    if (offer->ntables != 1 || offer->njoins || offer->grouped) {
        return error_set(err, ERR_UNSUPPORTED, "only one table at a time, without grouping");
    }
    plan->noutput = offer->noutput;
    TRY_ALLOC(plan->outputs, ARENA_ARRAY(plan->arena, uint32_t, offer->noutput), err);
    TRY_ALLOC(plan->types, ARENA_ARRAY(plan->arena, TribType, offer->noutput), err);
    for (uint32_t i = 0; i < offer->noutput; i++) {
        const TribNode *node = &offer->nodes[offer->output[i]];
        if (node->kind != TRIB_NODE_COLUMN)
            return error_set(err, ERR_UNSUPPORTED, "outputs must be plain columns");
        plan->outputs[i] = node->ref;
        plan->types[i] = columns[node->ref].type;
    }
    bool exact = true;
    plan->range = (Range){1, plan->catalog->rows};
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        offer->verdicts[i] = conjunct_apply(offer, offer->conjuncts[i], &plan->range);
        exact = exact && offer->verdicts[i].kind == TRIB_EXACT;
    }
    if (plan->range.low > plan->range.high) plan->range = (Range){1, 0};
    bool limited = offer->limit >= 0 && exact && !offer->norder && !offer->distinct &&
                   offer->mode != TRIB_PUSHDOWN_OFF;
    plan->limit = limited ? offer->limit : -1;
    offer->taken = limited ? TRIB_TAKEN_LIMIT : 0;
    offer->order_verdict = (TribVerdict){TRIB_NONE, "sorted here"};
    offer->limit_verdict = limited ? (TribVerdict){TRIB_EXACT, ""}
                                   : (TribVerdict){TRIB_NONE, "the filter is not exact"};
    for (uint32_t i = 0; i < offer->nkeys && offer->key_verdicts; i++) {
        offer->key_verdicts[i] = (TribVerdict){TRIB_NONE, "not offered"};
    }
    offer->rows = (double)(plan->range.high - plan->range.low + 1);
    TRY_ALLOC(offer->text,
              arena_printf(plan->arena, "numbers %" PRId64 " .. %" PRId64, plan->range.low,
                           plan->range.high),
              err);
    offer->note = NULL;
    return plan_splits(plan, err);
}

static TribStatus plan_new(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                           TribError *err) {
    Arena *arena;
    *out = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    TribPlan *plan = ARENA_NEW(arena, TribPlan);
    Status status = plan ? TRIB_OK : error_out_of_memory(err);
    if (plan) {
        plan->arena = arena;
        plan->catalog = catalog;
        atomic_init(&plan->refs, 1);
        status = plan_fill(plan, offer, err);
    }
    if (status != TRIB_OK) {
        arena_free(arena);
        return error_source(err, catalog->name);
    }
    *out = plan;
    return TRIB_OK;
}

static void plan_retain(TribPlan *plan) {
    atomic_fetch_add_explicit(&plan->refs, 1, memory_order_relaxed);
}

static void plan_release(TribPlan *plan) {
    if (atomic_fetch_sub_explicit(&plan->refs, 1, memory_order_acq_rel) == 1)
        arena_free(plan->arena);
}

static TribStatus plan_splits_list(TribPlan *plan, TribCall *call, uint32_t wanted,
                                   const TribSplit *const **out, uint32_t *count, TribError *err) {
    if (plan->nsplits > wanted) {
        static const TribSplit whole = {.size = sizeof(TribSplit),
                                        .rows = -1}; /* data NULL: all of it */
        static const TribSplit *const list[] = {&whole};
        *out = list;
        *count = 1;
        return TRIB_OK;
    }
    *out = plan->split_list;
    *count = plan->nsplits;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scans */

struct TribScan {
    TribPlan *plan; /* retained */
    TribCall *call;
    BatchBuilder *builder;
    int64_t next, last;
    uint64_t rows, bytes;
    atomic_bool cancelled;
};

static void scan_release(TribScan *scan) {
    batch_builder_free(scan->builder);
    plan_release(scan->plan);
    heap_free(scan);
}

static TribStatus scan_open(TribCatalog *catalog, TribCall *call, const TribScanRequest *request,
                            TribScan **out, struct ArrowSchema *schema, TribError *err) {
    TribPlan *plan = (TribPlan *)request->plan;
    TribScan *scan;
    *out = NULL;
    memset(schema, 0, sizeof *schema); /* release == NULL: the canonical layout */
    TRY_ALLOC(scan, heap_alloc(sizeof *scan), err);
    scan->plan = plan;
    plan_retain(plan);
    scan->call = call;
    const Range *range =
        request->split && request->split->data ? request->split->data : &plan->range;
    scan->next = range->low;
    scan->last = range->high;
    if (plan->limit >= 0 && scan->last - scan->next >= plan->limit)
        scan->last = scan->next + plan->limit - 1;
    Status status =
        batch_builder_new(catalog->host, plan->types, plan->noutput, request->batch_rows,
                          request->batch_bytes, &scan->builder, err);
    if (status != TRIB_OK) {
        scan_release(scan);
        return status;
    }
    *out = scan;
    return TRIB_OK;
}

/* Writes the value of one column for the number n. */
static Status cell_write(TribScan *scan, uint32_t output, int64_t n, Error *err) {
    BatchColumn *column = &scan->builder->columns[output];
    uint32_t row = scan->builder->rows;
    char text[64];
    switch (scan->plan->outputs[output]) {
    case COLUMN_N: batch_set_int64(column, row, n); break;
    case COLUMN_SQUARE: batch_set_int128(column, row, (__int128)n * n); break;
    case COLUMN_EVEN: batch_set_bool(column, row, n % 2 == 0); break;
    case COLUMN_HALF: batch_set_double(column, row, (double)n / 2); break;
    case COLUMN_DAY: batch_set_int32(column, row, (int32_t)n); break;
    case COLUMN_NAME: {
        if (n % 7 == 0) {
            batch_set_null(column, row);
            break;
        }
        int length = snprintf(text, sizeof text, "the number %" PRId64, n);
        return batch_text(scan->builder, column, row, text, (size_t)length, err);
    }
    default: return error_set(err, ERR_GENERAL, "no such column");
    }
    return TRIB_OK;
}

static TribStatus scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch, TribError *err) {
    memset(batch, 0, sizeof *batch); /* release == NULL: the end */
    TRY(call_check(scan->call, scan->plan->catalog->name, err));
    if (atomic_load(&scan->cancelled)) {
        error_set(err, ERR_CANCELLED, "the query was cancelled");
        return error_source(err, scan->plan->catalog->name);
    }
    if (scan->next > scan->last) return TRIB_OK;
    TRY(batch_begin(scan->builder, err));
    while (scan->next <= scan->last && scan->builder->rows < max_rows &&
           !batch_full(scan->builder)) {
        for (uint32_t i = 0; i < scan->plan->noutput; i++)
            TRY(cell_write(scan, i, scan->next, err));
        batch_row_done(scan->builder);
        scan->next++;
    }
    scan->rows += scan->builder->rows;
    scan->bytes += scan->builder->rows * scan->builder->row_width + scan->builder->text_bytes;
    batch_finish(scan->builder, batch);
    return TRIB_OK;
}

static void scan_cancel(TribScan *scan) {
    atomic_store(&scan->cancelled, true); /* a source with I/O also interrupts its call here */
}

static void scan_stats(TribScan *scan, TribStats *stats) {
    stats->rows = scan->rows;
    stats->bytes = scan->bytes;
    stats->requests = 1;
    stats->retries = 0;
    stats->wait_ns = 0;
}

/* ---------------------------------------------------------------- the connector */

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "template",
    .summary = "a made-up table of numbers: the example to copy",
    .options = options_table,
    .open = catalog_open,
    .close = catalog_close,
    .check = catalog_check,
    .list_schemas = list_schemas,
    .list_tables = list_tables,
    .describe_table = describe_table,
    .plan = plan_new,
    .plan_retain = plan_retain,
    .plan_release = plan_release,
    .splits = plan_splits_list,
    .scan_open = scan_open,
    .scan_next = scan_next,
    .scan_cancel = scan_cancel,
    .scan_stats = scan_stats,
    .scan_release = scan_release,
};

const TribConnector *trib_connector(void) {
    return &connector;
}
