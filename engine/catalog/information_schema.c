/*
 * information_schema.c - see information_schema.h.
 *
 * A scan walks: schemas (or the one asked for), their tables, and for `columns` the descriptions of the
 * tables, one at a time, so that memory holds one batch and the list of names. A table that cannot be
 * described costs a warning. The scan runs on the I/O thread of its split like any other.
 */
#include "engine/catalog/information_schema.h"

#include "engine/catalog/views.h"

typedef enum InfoTable {
    INFO_SCHEMATA,
    INFO_TABLES,
    INFO_COLUMNS,
    INFO_VIEWS,
    INFO_TABLE_COUNT
} InfoTable;

/* What a column shows; also what may be restricted. */
typedef enum InfoField {
    FIELD_CATALOG,
    FIELD_SCHEMA,
    FIELD_TABLE,
    FIELD_KIND,
    FIELD_TABLE_COMMENT,
    FIELD_COLUMN,
    FIELD_ORDINAL,
    FIELD_DEFAULT,
    FIELD_NULLABLE,
    FIELD_TYPE,
    FIELD_COMMENT,
    FIELD_DEFINITION,
    FIELD_COUNT
} InfoField;

#define RESTRICTABLE 3 /* catalog, schema, table */

#define TEXT_COLUMN(name_)                                                                  \
    {                                                                                       \
        .name = name_, .type = {.id = TRIB_TYPE_VARCHAR}, .nullable = true, .distinct = -1, \
        .null_fraction = -1                                                                 \
    }
#define BIGINT_COLUMN(name_)                                                                \
    {                                                                                       \
        .name = name_, .type = {.id = TRIB_TYPE_BIGINT}, .nullable = false, .distinct = -1, \
        .null_fraction = -1                                                                 \
    }

static const TribColumn schemata_columns[] = {TEXT_COLUMN("catalog_name"),
                                              TEXT_COLUMN("schema_name")};
static const InfoField schemata_fields[] = {FIELD_CATALOG, FIELD_SCHEMA};
static const TribColumn tables_columns[] = {TEXT_COLUMN("table_catalog"),
                                            TEXT_COLUMN("table_schema"), TEXT_COLUMN("table_name"),
                                            TEXT_COLUMN("table_type"), TEXT_COLUMN("comment")};
static const InfoField tables_fields[] = {FIELD_CATALOG, FIELD_SCHEMA, FIELD_TABLE, FIELD_KIND,
                                          FIELD_TABLE_COMMENT};
static const TribColumn columns_columns[] = {
    TEXT_COLUMN("table_catalog"), TEXT_COLUMN("table_schema"),       TEXT_COLUMN("table_name"),
    TEXT_COLUMN("column_name"),   BIGINT_COLUMN("ordinal_position"), TEXT_COLUMN("column_default"),
    TEXT_COLUMN("is_nullable"),   TEXT_COLUMN("data_type"),          TEXT_COLUMN("comment")};
static const InfoField columns_fields[] = {FIELD_CATALOG,  FIELD_SCHEMA,  FIELD_TABLE,
                                           FIELD_COLUMN,   FIELD_ORDINAL, FIELD_DEFAULT,
                                           FIELD_NULLABLE, FIELD_TYPE,    FIELD_COMMENT};
static const TribColumn views_columns[] = {TEXT_COLUMN("table_catalog"),
                                           TEXT_COLUMN("table_schema"), TEXT_COLUMN("table_name"),
                                           TEXT_COLUMN("view_definition")};
static const InfoField views_fields[] = {FIELD_CATALOG, FIELD_SCHEMA, FIELD_TABLE,
                                         FIELD_DEFINITION};

static const struct {
    const char *name;
    uint32_t ncolumns;
    const TribColumn *columns;
    const InfoField *fields;
} info_tables[INFO_TABLE_COUNT] = {
    [INFO_SCHEMATA] = {"schemata", COUNT_OF(schemata_columns), schemata_columns, schemata_fields},
    [INFO_TABLES] = {"tables", COUNT_OF(tables_columns), tables_columns, tables_fields},
    [INFO_COLUMNS] = {"columns", COUNT_OF(columns_columns), columns_columns, columns_fields},
    [INFO_VIEWS] = {"views", COUNT_OF(views_columns), views_columns, views_fields},
};

struct TribCatalog {
    CatalogSet *set;
    Catalog *catalog;
};

struct TribPlan {
    _Atomic uint32_t references;
    Arena *arena;
    TribCatalog *catalog;
    InfoTable table;
    uint32_t noutput;
    InfoField *output;
    Type *types;
    const char *wanted[RESTRICTABLE]; /* NULL = any */
    TribSplit split;
    const TribSplit *splits[1];
};

/* A name found by listing. */
typedef struct InfoName {
    struct InfoName *next;
    const char *schema, *name, *comment;
    TribTableKind kind;
} InfoName;

struct TribScan {
    Arena *arena;
    const TribPlan *plan;
    TribCall *call;
    CancelToken *cancel;
    void *cancel_handle;
    LookupContext lookup;
    InfoName *first, *last, *next; /* schemas, or tables */
    bool listed, exhausted;
    TableRef *described; /* being shown */
    uint32_t column;
    Batch batch; /* being filled; each one lives in an arena of its own that its array takes over */
    uint64_t rows;
};

/* What an array of the scan keeps alive: exporting copies nothing that may stay where it lies. */
typedef struct InfoBatch {
    Arena *arena;
    void *exported; /* the export's own state */
    void (*release)(struct ArrowArray *);
} InfoBatch;

/* ---------------------------------------------------------------- catalog */

static TribStatus info_open(const TribHost *host, const char *name, const TribOption *options,
                            uint32_t noptions, TribCatalog **out, TribError *err) {
    return error_set(err, ERR_UNSUPPORTED,
                     "information_schema is part of every catalog and is not configured");
}

static void info_close(TribCatalog *catalog) {
    heap_free(catalog);
}

static TribStatus info_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                             TribError *err) {
    if (size) text[0] = '\0';
    return TRIB_OK;
}

static TribStatus info_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                                    TribError *err) {
    names->schema(names->self, INFORMATION_SCHEMA);
    return TRIB_OK;
}

static TribStatus info_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                                   TribNames *names, TribError *err) {
    for (uint32_t i = 0; i < INFO_TABLE_COUNT; i++) {
        if (!names->table(names->self, INFORMATION_SCHEMA, info_tables[i].name, TRIB_TABLE_SYSTEM,
                          NULL))
            break;
    }
    return TRIB_OK;
}

static TribStatus info_describe(TribCatalog *catalog, TribCall *call, const char *schema,
                                const char *table, TribNames *names, TribError *err) {
    for (uint32_t i = 0; i < INFO_TABLE_COUNT; i++) {
        if (strcmp(info_tables[i].name, table) != 0) continue;
        TribTable described = {.size = sizeof described,
                               .schema = INFORMATION_SCHEMA,
                               .name = info_tables[i].name,
                               .kind = TRIB_TABLE_SYSTEM,
                               .ncolumns = info_tables[i].ncolumns,
                               .columns = info_tables[i].columns,
                               .rows = -1};
        return names->described(names->self, &described, err);
    }
    return error_set(err, ERR_TABLE_NOT_FOUND, "information_schema has no table '%s'", table);
}

/* ---------------------------------------------------------------- plan */

static void plan_retain(TribPlan *plan) {
    plan->references++;
}

static void plan_release(TribPlan *plan) {
    if (--plan->references == 0) {
        Arena *arena = plan->arena;
        arena_free(arena);
    }
}

/* column = 'literal' restricts what is listed; it is checked again above (names are told by case there). */
static bool restriction(const TribPlan *plan, const TribOffer *offer, uint32_t root,
                        InfoField *field, const TribValue **value) {
    const TribNode *n = &offer->nodes[root];
    if (n->kind != TRIB_NODE_CALL || n->op != TRIB_FN_eq || n->count != 2) return false;
    for (uint32_t i = 0; i < 2; i++) {
        const TribNode *column = &offer->nodes[n->first + i],
                       *literal = &offer->nodes[n->first + 1 - i];
        if (column->kind != TRIB_NODE_COLUMN || literal->kind != TRIB_NODE_LITERAL) continue;
        *field = info_tables[plan->table].fields[column->ref];
        *value = &offer->values[literal->ref];
        return *field < RESTRICTABLE && !(*value)->is_null;
    }
    return false;
}

static Status plan_fill(TribPlan *plan, TribOffer *offer, Error *err) {
    plan->noutput = offer->noutput;
    TRY_ALLOC(plan->output, ARENA_ARRAY(plan->arena, InfoField, offer->noutput), err);
    TRY_ALLOC(plan->types, ARENA_ARRAY(plan->arena, Type, offer->noutput), err);
    for (uint32_t i = 0; i < offer->noutput; i++) {
        const TribNode *n = &offer->nodes[offer->output[i]];
        plan->output[i] = info_tables[plan->table].fields[n->ref];
        plan->types[i] = n->type;
    }
    for (uint32_t i = 0; i < offer->nconjuncts; i++) {
        InfoField field;
        const TribValue *value;
        offer->verdicts[i] = (TribVerdict){.kind = TRIB_NONE, .reason = "only = of a name is used"};
        if (offer->mode == TRIB_PUSHDOWN_OFF ||
            !restriction(plan, offer, offer->conjuncts[i], &field, &value))
            continue;
        if (plan->wanted[field]) continue;
        TRY_ALLOC(plan->wanted[field],
                  arena_copy(plan->arena, value->as.text.data, value->as.text.length), err);
        offer->verdicts[i] = (TribVerdict){.kind = TRIB_SUPERSET, .reason = "checked again"};
    }
    plan->split = (TribSplit){.size = sizeof plan->split, .text = "metadata", .rows = -1};
    plan->splits[0] = &plan->split;
    TRY_ALLOC(offer->text, arena_printf(plan->arena, "list %s", info_tables[plan->table].name),
              err);
    offer->note = NULL;
    offer->taken = 0;
    offer->rows = -1;
    if (offer->key_verdicts) {
        for (uint32_t i = 0; i < offer->nkeys; i++) offer->key_verdicts[i].kind = TRIB_NONE;
    }
    return TRIB_OK;
}

static TribStatus info_plan(TribCatalog *catalog, TribCall *call, TribOffer *offer, TribPlan **out,
                            TribError *err) {
    Arena *arena;
    TribPlan *plan = NULL;
    TRY_ALLOC(arena, arena_new(NULL), err);
    Status status = TRIB_OK;
    plan = ARENA_NEW(arena, TribPlan);
    if (!plan) status = error_out_of_memory(err);
    if (status == TRIB_OK) {
        plan->references = 1;
        plan->arena = arena;
        plan->catalog = catalog;
        while (plan->table + 1 < INFO_TABLE_COUNT &&
               strcmp(info_tables[plan->table].name, offer->tables[0]->name) != 0)
            plan->table++;
        status = plan_fill(plan, offer, err);
    }
    if (status != TRIB_OK) {
        arena_free(arena);
        return status;
    }
    *out = plan;
    return TRIB_OK;
}

static TribStatus info_splits(TribPlan *plan, TribCall *call, uint32_t wanted,
                              const TribSplit *const **out, uint32_t *count, TribError *err) {
    *out = plan->splits;
    *count = 1;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- listing */

static bool add_name(TribScan *scan, const char *schema, const char *name, TribTableKind kind,
                     const char *comment) {
    InfoName *entry = ARENA_NEW(scan->arena, InfoName);
    if (entry) {
        entry->schema = arena_strdup(scan->arena, schema);
        entry->name = name ? arena_strdup(scan->arena, name) : NULL;
        entry->comment = comment ? arena_strdup(scan->arena, comment) : NULL;
        entry->kind = kind;
    }
    if (!entry || !entry->schema || (name && !entry->name) || (comment && !entry->comment)) {
        scan->exhausted = true;
        return false;
    }
    if (scan->last) {
        scan->last->next = entry;
    } else {
        scan->first = entry;
    }
    scan->last = entry;
    return true;
}

static bool unwanted(const TribScan *scan, InfoField field, const char *name) {
    return scan->plan->wanted[field] && strcmp(scan->plan->wanted[field], name) != 0;
}

static bool on_table(void *self, const char *schema, const char *name, TribTableKind kind,
                     const char *comment) {
    TribScan *scan = self;
    if (unwanted(scan, FIELD_TABLE, name)) return true;
    if (scan->plan->table == INFO_VIEWS && kind != TRIB_TABLE_VIEW) return true;
    return add_name(scan, schema, name, kind, comment);
}

static bool on_schema(void *self, const char *name) {
    TribScan *scan = self;
    if (unwanted(scan, FIELD_SCHEMA, name)) return true;
    return add_name(scan, name, NULL, TRIB_TABLE_BASE, NULL);
}

static Status list_names(TribScan *scan, Error *err) {
    Catalog *catalog = scan->plan->catalog->catalog;
    TribNames names = {.self = scan, .schema = on_schema, .table = on_table};
    scan->listed = true;
    if (unwanted(scan, FIELD_CATALOG, catalog_name(catalog))) return TRIB_OK;
    TRY(catalog_schemas(&scan->lookup, catalog, &names, err));
    if (scan->plan->table != INFO_SCHEMATA && !scan->exhausted) {
        InfoName *schema = scan->first;
        scan->first = scan->last = NULL;
        for (; schema && !scan->exhausted; schema = schema->next) {
            TRY(catalog_tables(&scan->lookup, catalog, schema->schema, &names, err));
        }
    }
    scan->next = scan->first;
    return scan->exhausted ? error_out_of_memory(err) : TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Value text_or_null(const char *text) {
    Value value = {.type = type_varchar(0), .is_null = text == NULL};
    value.as.text.data = text;
    value.as.text.length = text ? strlen(text) : 0;
    return value;
}

/* The query of a view that is stored here; NULL for one of a source, which keeps it to itself. */
static Status definition_value(TribScan *scan, const InfoName *name, Value *out, Error *err) {
    View *view = NULL;
    *out = text_or_null(NULL);
    if (!catalog_holds_views(scan->plan->catalog->catalog)) return TRIB_OK;
    TRY(views_find(&scan->lookup, str_from(name->name), scan->batch.arena, &view, err));
    if (!view) return TRIB_OK; /* dropped meanwhile */
    out->is_null = false;
    out->as.text.data = view->text.data;
    out->as.text.length = view->text.len;
    return TRIB_OK;
}

static Status field_value(TribScan *scan, const InfoName *name, InfoField field, Value *out,
                          Error *err) {
    static const char *const kinds[] = {"BASE TABLE", "VIEW", "SYSTEM TABLE"};
    const TribColumn *column =
        scan->described ? &scan->described->table.columns[scan->column] : NULL;
    Buf type;
    switch (field) {
    case FIELD_CATALOG: *out = text_or_null(catalog_name(scan->plan->catalog->catalog)); break;
    case FIELD_SCHEMA: *out = text_or_null(name->schema); break;
    case FIELD_TABLE: *out = text_or_null(name->name); break;
    case FIELD_KIND: *out = text_or_null(kinds[name->kind]); break;
    case FIELD_TABLE_COMMENT: *out = text_or_null(name->comment); break;
    case FIELD_COLUMN: *out = text_or_null(column->name); break;
    case FIELD_ORDINAL:
        *out = (Value){.type = TYPE(BIGINT)};
        out->as.integer = scan->column + 1;
        break;
    case FIELD_DEFAULT: *out = text_or_null(column->default_sql); break;
    case FIELD_NULLABLE: *out = text_or_null(column->nullable ? "YES" : "NO"); break;
    case FIELD_TYPE:
        buf_init(&type, scan->batch.arena, 65536);
        type_print(&type, column->type);
        TRY(buf_status(&type, err));
        *out = text_or_null(type.data);
        break;
    case FIELD_DEFINITION: return definition_value(scan, name, out, err);
    default: *out = text_or_null(column->comment); break;
    }
    return TRIB_OK;
}

static Status add_row(TribScan *scan, const InfoName *name, Error *err) {
    Batch *batch = &scan->batch;
    for (uint32_t i = 0; i < scan->plan->noutput; i++) {
        Value value;
        TRY(field_value(scan, name, scan->plan->output[i], &value, err));
        value.type = scan->plan->types[i];
        TRY(vector_set(batch->arena, &batch->columns[i], batch->count, &value, err));
    }
    batch->selected = ++batch->count;
    return TRIB_OK;
}

/* The next table's description; a table that cannot be described is warned about and skipped. */
static Status describe_next(TribScan *scan, Error *err) {
    const InfoName *name = scan->next;
    Error failure;
    Status status = catalog_describe(&scan->lookup, scan->plan->catalog->catalog, name->schema,
                                     name->name, &scan->described, &failure);
    scan->column = 0;
    if (status == TRIB_OK) return TRIB_OK;
    scan->described = NULL;
    if (status == TRIB_CANCELLED || status == TRIB_TIMEOUT || status == TRIB_MEMORY ||
        !scan->call->warn) {
        *err = failure;
        return status;
    }
    scan->call->warn(scan->call, "01000", failure.message);
    scan->next = name->next;
    return TRIB_OK;
}

static Status next_column_row(TribScan *scan, Error *err) {
    if (!scan->described) TRY(describe_next(scan, err));
    if (!scan->described) return TRIB_OK;
    const TribTable *table = &scan->described->table;
    while (scan->column < table->ncolumns && table->columns[scan->column].hidden) scan->column++;
    if (scan->column < table->ncolumns) {
        TRY(add_row(scan, scan->next, err));
        scan->column++;
        return TRIB_OK;
    }
    table_release(scan->described);
    scan->described = NULL;
    scan->next = scan->next->next;
    return TRIB_OK;
}

static Status fill_batch(TribScan *scan, uint32_t max_rows, Error *err) {
    Batch *batch = &scan->batch;
    uint32_t rows = max_rows < BATCH_ROWS ? max_rows : BATCH_ROWS;
    Arena *arena;
    TRY_ALLOC(arena, arena_new(NULL), err);
    batch_init(batch, arena);
    TRY(batch_columns(batch, scan->plan->noutput, err));
    for (uint32_t i = 0; i < scan->plan->noutput; i++) {
        TRY(vector_new(batch->arena, scan->plan->types[i], rows, &batch->columns[i], err));
    }
    while (batch->count < rows && scan->next) {
        TRY(cancel_check(scan->cancel, err));
        if (scan->plan->table == INFO_COLUMNS) {
            TRY(next_column_row(scan, err));
        } else {
            TRY(add_row(scan, scan->next, err));
            scan->next = scan->next->next;
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- scans */

static void on_cancel(void *context) {
    cancel_set(context, CANCEL_REQUESTED);
}

static void scan_warn(void *context, const char *catalog, const char *sqlstate, const char *text) {
    TribScan *scan = context;
    if (scan->call->warn) scan->call->warn(scan->call, sqlstate, text);
}

static void info_scan_release(TribScan *scan) {
    if (scan->cancel_handle) scan->call->off_cancel(scan->call, scan->cancel_handle);
    if (scan->described) table_release(scan->described);
    arena_free(scan->batch.arena);
    if (scan->cancel) cancel_release(scan->cancel);
    arena_free(scan->arena);
}

static TribStatus info_scan_open(TribCatalog *catalog, TribCall *call,
                                 const TribScanRequest *request, TribScan **out,
                                 struct ArrowSchema *schema, TribError *err) {
    Arena *arena;
    TribScan *scan;
    TRY_ALLOC(arena, arena_new(NULL), err);
    scan = ARENA_NEW(arena, TribScan);
    if (!scan) {
        arena_free(arena);
        return error_out_of_memory(err);
    }
    scan->arena = arena;
    scan->plan = request->plan;
    scan->call = call;
    scan->cancel = cancel_new();
    if (scan->cancel) scan->cancel_handle = call->on_cancel(call, on_cancel, scan->cancel);
    if (!scan->cancel || !scan->cancel_handle) {
        info_scan_release(scan);
        return error_out_of_memory(err);
    }
    scan->lookup = (LookupContext){.catalogs = catalog->set,
                                   .call = {.cancel = scan->cancel,
                                            .deadline_ns = call->deadline_ns,
                                            .warn = scan_warn,
                                            .warn_context = scan},
                                   .ttl_seconds = 60};
    *out = scan;
    return TRIB_OK;
}

static void info_batch_release(struct ArrowArray *array) {
    InfoBatch *owner = array->private_data;
    array->private_data = owner->exported;
    owner->release(array);
    Arena *arena = owner->arena;
    arena_free(arena);
}

/* Hands the filled batch over: its memory goes with the array. */
static Status hand_over(TribScan *scan, TribBatch *batch, Error *err) {
    InfoBatch *owner;
    TRY_ALLOC(owner, ARENA_NEW(scan->batch.arena, InfoBatch), err);
    TRY(arrow_export(&scan->batch, batch, err));
    *owner = (InfoBatch){scan->batch.arena, batch->array.private_data, batch->array.release};
    batch->array.private_data = owner;
    batch->array.release = info_batch_release;
    scan->batch.arena = NULL;
    return TRIB_OK;
}

static TribStatus info_scan_next(TribScan *scan, uint32_t max_rows, TribBatch *batch,
                                 TribError *err) {
    memset(batch, 0, sizeof *batch);
    if (!scan->listed) TRY(list_names(scan, err));
    arena_free(scan->batch.arena); /* of a call that failed */
    scan->batch.arena = NULL;
    TRY(fill_batch(scan, max_rows, err));
    scan->rows += scan->batch.count;
    return scan->batch.count ? hand_over(scan, batch, err) : TRIB_OK;
}

static void info_scan_cancel(TribScan *scan) {
    cancel_set(scan->cancel, CANCEL_REQUESTED);
}

static void info_scan_stats(TribScan *scan, TribStats *stats) {
    size_t size = stats->size;
    *stats = (TribStats){.size = size, .rows = scan->rows, .requests = 1};
}

static const TribOptionDef no_options[] = {{.name = NULL}};

static const TribConnector connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof connector,
    .type = INFORMATION_SCHEMA,
    .summary = "the metadata of a catalog as tables",
    .options = no_options,
    .open = info_open,
    .close = info_close,
    .check = info_check,
    .list_schemas = info_list_schemas,
    .list_tables = info_list_tables,
    .describe_table = info_describe,
    .plan = info_plan,
    .plan_retain = plan_retain,
    .plan_release = plan_release,
    .splits = info_splits,
    .scan_open = info_scan_open,
    .scan_next = info_scan_next,
    .scan_cancel = info_scan_cancel,
    .scan_stats = info_scan_stats,
    .scan_release = info_scan_release,
};

const char *information_schema_table(Str name) {
    for (uint32_t i = 0; i < INFO_TABLE_COUNT; i++) {
        if (str_equal_fold(str_from(info_tables[i].name), name)) return info_tables[i].name;
    }
    return NULL;
}

Status information_schema_source(CatalogSet *set, Catalog *catalog, Source **out, Error *err) {
    TribCatalog *info;
    TRY_ALLOC(info, heap_alloc(sizeof *info), err);
    info->set = set;
    info->catalog = catalog;
    return source_wrap(&connector, catalog_name(catalog), info, out, err);
}
