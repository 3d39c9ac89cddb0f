/*
 * memory.c - the connector of tables in RAM: catalog, metadata, transactions.
 *
 * Catalogs of one name are one store of the process (store.c), whichever connection opened them.
 *
 * Threads: catalogs are used by any number of threads (the store locks).
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "connectors/memory/scan.h"
#include "connectors/memory/sketch.h"
#include "connectors/support/call.h"

static TribStatus memory_open(const TribHost *host, const char *name, const TribOption *options,
                              uint32_t noptions, TribCatalog **out, TribError *err) {
    if (noptions > 0)
        return error_set_at(err, ERR_CONFIGURATION, options[0].line, options[0].column,
                            "the catalog %s has no option \"%s\"", name, options[0].name);
    TribCatalog *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    Status status = store_catalog(host, name, &self->store, err);
    if (status != TRIB_OK) {
        heap_free(self);
        return status;
    }
    self->host = host;
    self->name = store_catalog_name(self->store);
    *out = self;
    return TRIB_OK;
}

static void memory_close(TribCatalog *catalog) {
    heap_free(catalog);
}

/* ---------------------------------------------------------------- metadata */

static const MemTx *call_tx(const TribCall *call) {
    return call && call->transaction ? call->transaction->tx : NULL;
}

typedef struct TableCount {
    uint64_t tables, rows;
} TableCount;

static bool table_count(void *context, const MemTable *table) {
    TableCount *count = context;
    count->tables++;
    count->rows += atomic_load(&table->rows);
    return true;
}

static TribStatus memory_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                               TribError *err) {
    (void)err;
    TableCount count = {0};
    store_each_table(catalog->store, call_tx(call), NULL, table_count, &count);
    (void)text_format(text, size, "tables in memory: %llu, rows: %llu",
                      (unsigned long long)count.tables, (unsigned long long)count.rows);
    return TRIB_OK;
}

static bool visit_schema(void *context, const char *schema) {
    TribNames *names = context;
    return names->schema(names->self, schema);
}

static TribStatus memory_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                                      TribError *err) {
    (void)err;
    store_each_schema(catalog->store, call_tx(call), visit_schema, names);
    return TRIB_OK;
}

static bool visit_table(void *context, const MemTable *table) {
    TribNames *names = context;
    return names->table(names->self, table->schema, table->name, TRIB_TABLE_BASE, table->comment);
}

static TribStatus memory_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                                     TribNames *names, TribError *err) {
    (void)err;
    store_each_table(catalog->store, call_tx(call), schema, visit_table, names);
    return TRIB_OK;
}

static void type_spell(Buf *out, TribType type, uint32_t depth) {
    static const char *const names[] = {
#define TRIB_TYPE_ROW(number, name, sql_name) [number] = sql_name,
#include "connectors/ids.def"
    };
    buf_text(out, type.id < COUNT_OF(names) && names[type.id] ? names[type.id] : "unknown");
    if (type.id == TRIB_TYPE_DECIMAL)
        buf_printf(out, "(%u,%d)", type.precision, type.scale);
    else if ((type.id == TRIB_TYPE_VARCHAR || type.id == TRIB_TYPE_CHAR) && type.length)
        buf_printf(out, "(%u)", type.length);
    for (uint32_t i = 0; type.fields && depth < 64 && i < type.fields->count; i++) {
        buf_text(out, i ? ", " : "(");
        if (type.fields->field[i].name && type.id == TRIB_TYPE_ROW)
            buf_printf(out, "%s ", type.fields->field[i].name);
        type_spell(out, type.fields->field[i].type, depth + 1);
        if (i + 1 == type.fields->count) buf_char(out, ')');
    }
}

static bool value_below(const TribValue *a, const TribValue *b) {
    if (a->type.id == TRIB_TYPE_REAL || a->type.id == TRIB_TYPE_DOUBLE)
        return a->as.real < b->as.real;
    return a->as.integer < b->as.integer;
}

/* Gathers what the groups know about a column. */
static void column_statistics(const MemVersion *version, uint32_t index, TribColumn *column) {
    uint64_t rows = 0, nulls = 0;
    bool known = true, any = false;
    for (uint32_t i = 0; i < version->ngroups; i++) {
        const Chunk *chunk = group_chunk(version->groups[i], index);
        rows += chunk->length;
        nulls += chunk->nulls;
        if (chunk->nulls == chunk->length) continue;
        known = known && chunk->ranged;
        if (!known) continue;
        if (!any || value_below(&chunk->minimum, &column->minimum))
            column->minimum = chunk->minimum;
        if (!any || value_below(&column->maximum, &chunk->maximum))
            column->maximum = chunk->maximum;
        any = true;
    }
    if (!known || !any) {
        column->minimum = (TribValue){0};
        column->maximum = (TribValue){0};
    }
    column->null_fraction = rows ? (double)nulls / (double)rows : 0;
}

#define SKETCHES_MOST 256 /* groups that are looked at; of more, some from all over */

/* Values that are different in so large a share of the rows looked at are taken to be so in all rows. */
#define MOSTLY_DIFFERENT 0.5

static void column_distinct(const MemVersion *version, uint32_t index, TribColumn *column) {
    uint8_t all[SKETCH_BYTES] = {0};
    uint64_t seen = 0, rows = 0;
    uint32_t step = version->ngroups / SKETCHES_MOST + 1;
    for (uint32_t i = 0; i < version->ngroups; i++) {
        const Chunk *chunk = group_chunk(version->groups[i], index);
        rows += chunk->length - chunk->nulls;
        if (i % step) continue;
        const uint8_t *sketch = column_sketch(version->groups[i]->columns[index]);
        if (!sketch) return;
        sketch_merge(all, sketch);
        seen += chunk->length - chunk->nulls;
    }
    double count = round(sketch_count(all));
    if (seen && count > (double)seen) count = (double)seen;
    if (seen && count > MOSTLY_DIFFERENT * (double)seen) count *= (double)rows / (double)seen;
    column->distinct = count;
}

static Status columns_describe(const MemTable *table, const MemVersion *version, Arena *arena,
                               TribColumn **out, Error *err) {
    TribColumn *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(arena, TribColumn, table->ncolumns + 1), err);
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        Buf spelled;
        columns[i] = table->columns[i];
        buf_init(&spelled, arena, 1 << 16);
        type_spell(&spelled, table->columns[i].type, 0);
        TRY(buf_status(&spelled, err));
        columns[i].remote_type = spelled.data;
        column_statistics(version, i, &columns[i]);
        column_distinct(version, i, &columns[i]);
    }
    columns[table->ncolumns] = (TribColumn){.name = ROW_ID_NAME,
                                            .type = {.id = TRIB_TYPE_BIGINT},
                                            .hidden = true,
                                            .remote_type = "bigint",
                                            .distinct = -1,
                                            .null_fraction = 0};
    *out = columns;
    return TRIB_OK;
}

/* What a UNIQUE without a name is called: a program that groups the rows of SQLStatistics needs one. */
static Status key_named(const MemTable *table, const MemKey *key, Arena *arena, const char **out,
                        Error *err) {
    Buf text;
    *out = key->name;
    if (key->name || key->primary) return TRIB_OK;
    buf_init(&text, arena, 1 << 16);
    buf_text(&text, table->name);
    for (uint32_t i = 0; i < key->ncolumns; i++) {
        buf_text(&text, "_");
        buf_text(&text, table->columns[key->columns[i]].name);
    }
    buf_text(&text, "_key");
    TRY(buf_status(&text, err));
    *out = text.data;
    return TRIB_OK;
}

static Status keys_describe(const MemTable *table, Arena *arena, TribKey **out, Error *err) {
    TRY_ALLOC(*out, ARENA_ARRAY(arena, TribKey, table->nkeys), err);
    for (uint32_t i = 0; i < table->nkeys; i++) {
        const MemKey *key = &table->keys[i];
        (*out)[i] = (TribKey){.primary = key->primary,
                              .unique = key->unique,
                              .ncolumns = key->ncolumns,
                              .columns = key->columns};
        TRY(key_named(table, key, arena, &(*out)[i].name, err));
    }
    return TRIB_OK;
}

static Status table_describe(const MemTable *table, const MemVersion *version, Arena *arena,
                             TribNames *names, Error *err) {
    TribColumn *columns;
    TribKey *keys;
    TRY(columns_describe(table, version, arena, &columns, err));
    TRY(keys_describe(table, arena, &keys, err));
    TribTable described = {.size = sizeof described,
                           .schema = table->schema,
                           .name = table->name,
                           .kind = TRIB_TABLE_BASE,
                           .comment = table->comment,
                           .ncolumns = table->ncolumns + 1,
                           .columns = columns,
                           .nkeys = table->nkeys,
                           .keys = keys,
                           .rows = (double)atomic_load(&table->rows),
                           .writable = true,
                           .nrow_key = 1,
                           .row_key = &table->ncolumns,
                           .identity = table->identity};
    return names->described(names->self, &described, err);
}

static TribStatus memory_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                                        const char *name, TribNames *names, TribError *err) {
    MemTable *table = store_table(catalog->store, call_tx(call), schema, name);
    if (!table) return store_no_table(catalog->store, schema, name, err);
    uint64_t commit;
    MemVersion *version = table_version(table, &commit);
    Arena *arena = arena_new(NULL);
    Status status =
        arena ? table_describe(table, version, arena, names, err) : error_out_of_memory(err);
    arena_free(arena);
    version_release(version);
    table_release(table);
    return status;
}

/* ---------------------------------------------------------------- transactions */

static TribStatus memory_tx_begin(TribCatalog *catalog, TribCall *call,
                                  const TribTxRequest *request, TribTx **out, TribError *err) {
    (void)call;
    (void)request; /* one level, and the host refuses writes in read-only transactions */
    TribTx *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    Status status = tx_begin(catalog->store, &self->tx, err);
    if (status != TRIB_OK) {
        heap_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static TribStatus memory_tx_end(TribTx *transaction, TribCall *call, bool commit, TribError *err) {
    (void)call;
    (void)err;
    tx_end(transaction->tx, commit);
    heap_free(transaction);
    return TRIB_OK;
}

static TribStatus memory_tx_mark(TribTx *transaction, TribCall *call, TribMark mark,
                                 TribError *err) {
    (void)call;
    (void)err;
    if (mark == TRIB_MARK_SET) tx_set_mark(transaction->tx);
    if (mark == TRIB_MARK_GO_BACK) tx_go_back(transaction->tx);
    return TRIB_OK;
}

static const TribOptionDef memory_options[] = {{0}};

static const TribConnector memory_connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "memory",
    .summary = "tables in memory, shared within the process",
    .flags = TRIB_NONBLOCKING | TRIB_PROCESS_STATE | TRIB_VALID_TEXT | TRIB_HOST_DEFAULTS |
             TRIB_ROW_KEY_MOVES,
    .options = memory_options,
    .open = memory_open,
    .close = memory_close,
    .check = memory_check,
    .list_schemas = memory_list_schemas,
    .list_tables = memory_list_tables,
    .describe_table = memory_describe_table,
    .plan = memory_plan,
    .plan_retain = memory_plan_retain,
    .plan_release = memory_plan_release,
    .splits = memory_splits,
    .scan_open = memory_scan_open,
    .scan_next = memory_scan_next,
    .scan_cancel = memory_scan_cancel,
    .scan_stats = memory_scan_stats,
    .scan_release = memory_scan_release,
    .write_open = memory_write_open,
    .write_batch = memory_write_batch,
    .write_close = memory_write_close,
    .ddl = memory_ddl,
    .tx_begin = memory_tx_begin,
    .tx_end = memory_tx_end,
    .tx_mark = memory_tx_mark,
    .isolations = TRIB_REPEATABLE_READ,
    .default_isolation = TRIB_REPEATABLE_READ,
};

TRIB_EXPORT const TribConnector *trib_connector(void) {
    return &memory_connector;
}
