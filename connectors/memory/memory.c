/*
 * memory.c - the connector of tables in RAM: catalog, metadata, DDL, writing.
 *
 * Catalogs of one name are one store of the process (store.c), whichever connection opened them. Rows
 * are appended in row groups of up to GROUP_ROWS; a writer collects its own groups and adds them to the
 * table when it is closed, so that nobody sees half of an INSERT. A table that CREATE TABLE AS writes
 * gets its name only then.
 *
 * Threads: catalogs are used by any number of threads (the store locks); a writer by one.
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

typedef struct TableCount {
    uint64_t tables, rows;
} TableCount;

static bool table_count(void *context, const MemTable *table) {
    TableCount *count = context;
    count->tables++;
    count->rows += atomic_load(&table->version->rows);
    return true;
}

static TribStatus memory_check(TribCatalog *catalog, TribCall *call, char *text, size_t size,
                               TribError *err) {
    (void)call;
    (void)err;
    TableCount count = {0};
    store_each_table(catalog->store, NULL, table_count, &count);
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
    (void)call;
    (void)err;
    store_each_schema(catalog->store, visit_schema, names);
    return TRIB_OK;
}

static bool visit_table(void *context, const MemTable *table) {
    TribNames *names = context;
    return names->table(names->self, table->schema, table->name, TRIB_TABLE_BASE, table->comment);
}

static TribStatus memory_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                                     TribNames *names, TribError *err) {
    (void)call;
    (void)err;
    store_each_table(catalog->store, schema, visit_table, names);
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
        const Chunk *chunk = &version->groups[i]->columns[index];
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
        const Chunk *chunk = &version->groups[i]->columns[index];
        rows += chunk->length - chunk->nulls;
        if (i % step) continue;
        if (!chunk->sketch) return;
        sketch_merge(all, chunk->sketch);
        seen += chunk->length - chunk->nulls;
    }
    double count = round(sketch_count(all));
    if (seen && count > (double)seen) count = (double)seen;
    if (seen && count > MOSTLY_DIFFERENT * (double)seen) count *= (double)rows / (double)seen;
    column->distinct = count;
}

static Status table_describe(const MemTable *table, MemVersion *version, Arena *arena,
                             TribNames *names, Error *err) {
    TribColumn *columns;
    TRY_ALLOC(columns, ARENA_ARRAY(arena, TribColumn, table->ncolumns), err);
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
    TribTable described = {.size = sizeof described,
                           .schema = table->schema,
                           .name = table->name,
                           .kind = TRIB_TABLE_BASE,
                           .comment = table->comment,
                           .ncolumns = table->ncolumns,
                           .columns = columns,
                           .rows = (double)atomic_load(&version->rows),
                           .writable = true};
    return names->described(names->self, &described, err);
}

static TribStatus memory_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                                        const char *name, TribNames *names, TribError *err) {
    (void)call;
    MemTable *table = store_table(catalog->store, schema, name);
    if (!table)
        return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s.%s.%s", catalog->name,
                         schema, name);
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

/* ---------------------------------------------------------------- DDL */

static Status create_table(TribCatalog *catalog, const TribDdl *ddl, Error *err) {
    MemTable *table;
    if (ddl->if_exists) {
        MemTable *there = store_table(catalog->store, ddl->schema, ddl->name);
        table_release(there);
        if (there) return TRIB_OK;
    }
    if (!ddl->table || ddl->table->ncolumns == 0)
        return error_set(err, ERR_SYNTAX, "the table %s.%s.%s would have no columns", catalog->name,
                         ddl->schema, ddl->name);
    TribTable definition = *ddl->table;
    definition.schema = ddl->schema;
    definition.name = ddl->name;
    TRY(table_new(catalog->host, &definition, &table, err));
    Status status = store_add_table(catalog->store, table, err);
    if (status == TRIB_EXISTS && ddl->if_exists)
        status = TRIB_OK;
    else if (status == TRIB_OK && ddl->transaction)
        status = tx_note_created(ddl->transaction->tx, table, err);
    table_release(table);
    return status;
}

static TribStatus memory_ddl(TribCatalog *catalog, TribCall *call, const TribDdl *ddl,
                             TribError *err) {
    (void)call;
    switch (ddl->kind) {
    case TRIB_DDL_CREATE_TABLE: return create_table(catalog, ddl, err);
    case TRIB_DDL_CREATE_SCHEMA:
        return store_create_schema(catalog->store, ddl->schema, ddl->if_exists, err);
    case TRIB_DDL_DROP_SCHEMA:
        return store_drop_schema(catalog->store, ddl->schema, ddl->if_exists, err);
    case TRIB_DDL_DROP_TABLE: break;
    default: return error_set(err, ERR_UNSUPPORTED, "catalogs of type memory cannot do this");
    }
    if (ddl->transaction)
        return error_set(err, ERR_UNSUPPORTED,
                         "DROP TABLE cannot be part of a transaction in catalog %s", catalog->name);
    return store_drop_table(catalog->store, ddl->schema, ddl->name, ddl->if_exists, err);
}

/* ---------------------------------------------------------------- writing */

struct TribWriter {
    TribCatalog *catalog;
    MemTable *table; /* NULL: the table is there already and rows are thrown away (IF NOT EXISTS) */
    MemTx *tx;
    bool create, if_not_exists, failed;
    uint32_t ncolumns;  /* of the rows that come */
    uint32_t *position; /* by column of the table: where it stands in the rows; UINT32_MAX = NULL */
    uint64_t rows;
    MemGroup *group; /* being filled */
    uint32_t ngroups, groups_capacity;
    MemGroup **groups; /* sealed */
};

static void writer_free(TribWriter *self) {
    for (uint32_t i = 0; i < self->ngroups; i++) group_release(self->groups[i]);
    group_release(self->group);
    table_release(self->table);
    heap_free(self->groups);
    heap_free(self->position);
    heap_free(self);
}

static Status writer_columns(TribWriter *self, const TribWriteRequest *request, Error *err) {
    uint32_t count = self->table->ncolumns;
    TRY_ALLOC(self->position, heap_alloc(sizeof(uint32_t) * count), err);
    bool all = request->kind == TRIB_WRITE_CREATE || !request->columns;
    self->ncolumns = all ? count : request->ncolumns;
    for (uint32_t i = 0; i < count; i++) self->position[i] = all ? i : UINT32_MAX;
    for (uint32_t i = 0; !all && i < request->ncolumns; i++) {
        if (request->columns[i] >= count)
            return error_set(err, ERR_COLUMN_NOT_FOUND, "the table has no such column");
        self->position[request->columns[i]] = i;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (self->position[i] == UINT32_MAX && !self->table->columns[i].nullable)
            return error_set(err, ERR_CONSTRAINT,
                             "the column %s must not be NULL and gets no value",
                             self->table->columns[i].name);
    }
    return TRIB_OK;
}

/* An existing table must still be what the statement was prepared for. */
static Status target_check(const MemTable *table, const TribTable *described, Error *err) {
    bool same = table->ncolumns == described->ncolumns;
    for (uint32_t i = 0; same && i < table->ncolumns; i++) {
        const TribType *now = &table->columns[i].type, *then = &described->columns[i].type;
        same =
            now->id == then->id && now->precision == then->precision && now->scale == then->scale;
    }
    if (same) return TRIB_OK;
    return error_set(err, ERR_SEQUENCE,
                     "the table %s.%s has changed since the statement was prepared", table->schema,
                     table->name);
}

static Status writer_target(TribWriter *self, const TribWriteRequest *request, Error *err) {
    const TribTable *target = request->table;
    MemTable *there = store_table(self->catalog->store, target->schema, target->name);
    if (request->kind == TRIB_WRITE_INSERT) {
        if (!there)
            return error_set(err, ERR_TABLE_NOT_FOUND, "there is no table %s.%s.%s",
                             self->catalog->name, target->schema, target->name);
        self->table = there;
        return target_check(there, target, err);
    }
    self->create = true;
    self->if_not_exists = request->if_not_exists;
    table_release(there);
    if (there && request->if_not_exists) return TRIB_OK;
    if (there)
        return error_set(err, ERR_TABLE_EXISTS, "the table %s.%s.%s exists already",
                         self->catalog->name, target->schema, target->name);
    if (!store_has_schema(self->catalog->store, target->schema))
        return error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->catalog->name,
                         target->schema);
    return table_new(self->catalog->host, target, &self->table, err);
}

static TribStatus memory_write_open(TribCatalog *catalog, TribCall *call,
                                    const TribWriteRequest *request, TribWriter **out,
                                    TribError *err) {
    (void)call;
    TribWriter *self;
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    self->tx = request->transaction ? request->transaction->tx : NULL;
    Status status = writer_target(self, request, err);
    if (status == TRIB_OK && self->table) status = writer_columns(self, request, err);
    if (status != TRIB_OK) {
        writer_free(self);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

static Status writer_seal(TribWriter *self, Error *err) {
    if (!self->group || self->group->rows == 0) return TRIB_OK;
    TRY(group_seal(self->group, err));
    if (self->ngroups == self->groups_capacity) {
        uint32_t capacity = self->groups_capacity ? self->groups_capacity * 2 : 8;
        MemGroup **grown = heap_resize(self->groups, capacity * sizeof(MemGroup *));
        if (!grown) return error_out_of_memory(err);
        self->groups = grown;
        self->groups_capacity = capacity;
    }
    self->groups[self->ngroups++] = self->group;
    self->group = NULL;
    return TRIB_OK;
}

/* An array of NULLs for a column that the rows do not carry. Its values are never looked at, but must
 * be there: every position is NULL. */
static Status null_array(TribWriter *self, const Chunk *chunk, uint32_t rows, Arena *arena,
                         struct ArrowArray *out, Error *err) {
    *out = (struct ArrowArray){
        .length = rows, .null_count = rows, .n_buffers = 2, .n_children = chunk->nchildren};
    uint32_t nbuffers = chunk->layout == CHUNK_VIEW ? 3 : 2;
    const void **buffers;
    TRY_ALLOC(buffers, ARENA_ARRAY(arena, const void *, nbuffers), err);
    TRY_ALLOC(buffers[0], arena_alloc(arena, bitmap_words(rows) * 8), err);
    size_t width = chunk->layout == CHUNK_BITS ? 1 : chunk->layout == CHUNK_LIST ? 4 : chunk->width;
    TRY_ALLOC(buffers[1], arena_alloc(arena, ((size_t)rows + 1) * width + 16), err);
    if (nbuffers == 3) TRY_ALLOC(buffers[2], arena_alloc(arena, 8), err);
    out->n_buffers = nbuffers;
    out->buffers = buffers;
    if (!chunk->nchildren) return TRIB_OK;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, struct ArrowArray *, chunk->nchildren), err);
    uint32_t below = chunk->layout == CHUNK_LIST ? 0 : rows;
    for (uint32_t i = 0; i < chunk->nchildren; i++) {
        TRY_ALLOC(out->children[i], ARENA_NEW(arena, struct ArrowArray), err);
        TRY(null_array(self, &chunk->children[i], below, arena, out->children[i], err));
    }
    return TRIB_OK;
}

/* The rows as the table's columns stand, without a copy of the rows. */
static Status rows_arrange(TribWriter *self, const struct ArrowArray *in, Arena *arena,
                           struct ArrowArray *out, Error *err) {
    *out = *in;
    out->n_children = self->table->ncolumns;
    TRY_ALLOC(out->children, ARENA_ARRAY(arena, struct ArrowArray *, self->table->ncolumns), err);
    for (uint32_t i = 0; i < self->table->ncolumns; i++) {
        if (self->position[i] != UINT32_MAX) {
            out->children[i] = in->children[self->position[i]];
            continue;
        }
        TRY_ALLOC(out->children[i], ARENA_NEW(arena, struct ArrowArray), err);
        TRY(null_array(self, &self->group->columns[i], (uint32_t)(in->offset + in->length), arena,
                       out->children[i], err));
    }
    return TRIB_OK;
}

static Status nulls_check(const TribWriter *self, Error *err) {
    for (uint32_t i = 0; i < self->table->ncolumns; i++) {
        if (self->table->columns[i].nullable || self->group->columns[i].nulls == 0) continue;
        return error_set(err, ERR_CONSTRAINT, "the column %s of %s.%s must not be NULL",
                         self->table->columns[i].name, self->table->schema, self->table->name);
    }
    return TRIB_OK;
}

static Status rows_append(TribWriter *self, const struct ArrowArray *rows, uint32_t from,
                          uint32_t count, Error *err) {
    while (count > 0) {
        if (!self->group) TRY(group_new(self->table, &self->group, err));
        uint32_t room = GROUP_ROWS - self->group->rows, now = count < room ? count : room;
        TRY(group_append(self->group, rows, from, now, err));
        TRY(nulls_check(self, err));
        from += now;
        count -= now;
        self->rows += now;
        if (self->group->rows == GROUP_ROWS) TRY(writer_seal(self, err));
    }
    return TRIB_OK;
}

static Status batch_append(TribWriter *self, const TribBatch *batch, Arena *arena, Error *err) {
    struct ArrowArray rows;
    if (!self->group) TRY(group_new(self->table, &self->group, err));
    TRY(rows_arrange(self, &batch->array, arena, &rows, err));
    if (!batch->selection) return rows_append(self, &rows, 0, (uint32_t)batch->array.length, err);
    /* Runs of neighbours are appended together. */
    for (uint32_t i = 0; i < batch->selected;) {
        uint32_t first = batch->selection[i], run = 1;
        while (i + run < batch->selected && batch->selection[i + run] == first + run) run++;
        TRY(rows_append(self, &rows, first, run, err));
        i += run;
    }
    return TRIB_OK;
}

static TribStatus memory_write_batch(TribWriter *writer, const TribBatch *batch, TribError *err) {
    if (!writer->table) return TRIB_OK;
    if (writer->failed)
        return error_set(err, ERR_SEQUENCE, "an earlier batch of this writer failed");
    if (batch->array.n_children != writer->ncolumns || batch->array.length > INT32_MAX)
        return error_set(err, ERR_GENERAL, "a batch to be written has the wrong shape");
    Arena *arena = arena_new(NULL);
    Status status = arena ? batch_append(writer, batch, arena, err) : error_out_of_memory(err);
    arena_free(arena);
    if (status != TRIB_OK) writer->failed = true;
    return status;
}

static Status writer_commit(TribWriter *self, Error *err) {
    TRY(writer_seal(self, err));
    if (self->create) {
        Status status = store_add_table(self->catalog->store, self->table, err);
        if (status == TRIB_EXISTS && self->if_not_exists) {
            self->rows = 0;
            return TRIB_OK;
        }
        TRY(status);
        if (self->tx) TRY(tx_note_created(self->tx, self->table, err));
    }
    uint32_t count = self->ngroups;
    self->ngroups = 0; /* table_append takes the references over */
    return table_append(self->table, self->tx, count, self->groups, err);
}

static TribStatus memory_write_close(TribWriter *writer, bool commit, uint64_t *rows,
                                     TribError *err) {
    Status status = TRIB_OK;
    if (rows) *rows = 0;
    if (commit && writer->failed)
        status = error_set(err, ERR_SEQUENCE, "a batch of this writer failed");
    else if (commit && writer->table) {
        status = writer_commit(writer, err);
        if (rows && status == TRIB_OK) *rows = writer->rows;
    }
    writer_free(writer);
    return status;
}

/* ---------------------------------------------------------------- transactions */

static TribStatus memory_tx_begin(TribCatalog *catalog, TribCall *call,
                                  const TribTxRequest *request, TribTx **out, TribError *err) {
    (void)call;
    (void)request;
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
    Status status = tx_end(transaction->tx, commit, err);
    heap_free(transaction);
    return status;
}

static const TribOptionDef memory_options[] = {{0}};

static const TribConnector memory_connector = {
    .abi_version = TRIB_ABI_VERSION,
    .struct_size = sizeof(TribConnector),
    .type = "memory",
    .summary = "tables in memory, shared within the process",
    .flags = TRIB_NONBLOCKING | TRIB_PROCESS_STATE | TRIB_VALID_TEXT,
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
    .isolations = TRIB_REPEATABLE_READ,
    .default_isolation = TRIB_REPEATABLE_READ,
};

TRIB_EXPORT const TribConnector *trib_connector(void) {
    return &memory_connector;
}
