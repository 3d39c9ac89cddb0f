/*
 * memory_support.c - the fixture of memory_support.h. Any number of threads may use one fixture: each
 * function makes a call of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/support/batch_builder.h"
#include "tests/connectors/memory_support.h"

static const TribType column_types[] = {
    {.id = TRIB_TYPE_BIGINT}, {.id = TRIB_TYPE_BIGINT}, {.id = TRIB_TYPE_VARCHAR}};
static const char *const column_names[] = {"id", "value", "note"};

void memory_open(MemoryFixture *self, const char *catalog) {
    TribError err;
    memset(self, 0, sizeof *self);
    test_host_init(&self->host);
    self->connector = trib_connector();
    assert_int_equal(
        self->connector->open(&self->host.host, catalog, NULL, 0, &self->catalog, &err), TRIB_OK);
}

void memory_close(MemoryFixture *self) {
    self->connector->close(self->catalog);
}

static void call_begin(MemoryFixture *self, TribTx *tx, TestCall *call) {
    test_call_init(call, &self->host);
    call->call.transaction = tx;
}

TribStatus memory_create(MemoryFixture *self, TribTx *tx, const char *name, bool keyed,
                         TribError *err) {
    static const uint32_t first[] = {0};
    TribColumn columns[3];
    for (uint32_t i = 0; i < 3; i++)
        columns[i] =
            (TribColumn){.name = column_names[i], .type = column_types[i], .nullable = i > 0};
    TribKey key = {.name = "t_key", .primary = true, .ncolumns = 1, .columns = first};
    TribTable table = {.size = sizeof table,
                       .schema = "default",
                       .name = name,
                       .ncolumns = 3,
                       .columns = columns,
                       .nkeys = keyed,
                       .keys = &key};
    TribDdl ddl = {.kind = TRIB_DDL_CREATE_TABLE, .name = name, .table = &table};
    return memory_alter(self, tx, ddl, err);
}

TribStatus memory_alter(MemoryFixture *self, TribTx *tx, TribDdl ddl, TribError *err) {
    TestCall call;
    call_begin(self, tx, &call);
    ddl.size = sizeof ddl;
    if (!ddl.schema) ddl.schema = "default";
    ddl.transaction = tx;
    TribStatus status = self->connector->ddl(self->catalog, &call.call, &ddl, err);
    test_call_clear(&call);
    return status;
}

typedef struct Described {
    Arena *arena;
    TribTable *table;
} Described;

static TribStatus keep_description(void *context, const TribTable *table, TribError *err) {
    Described *self = context;
    self->table = table_copy(self->arena, table);
    return TRIB_OK;
}

TribTable *memory_describe(MemoryFixture *self, TribTx *tx, const char *name, Arena *arena,
                           TribError *err) {
    TestCall call;
    Described described = {.arena = arena};
    TribNames names = {.self = &described, .described = keep_description};
    call_begin(self, tx, &call);
    TribStatus status =
        self->connector->describe_table(self->catalog, &call.call, "default", name, &names, err);
    test_call_clear(&call);
    return status == TRIB_OK ? described.table : NULL;
}

/* ---------------------------------------------------------------- writing */

static void put(BatchBuilder *builder, uint32_t column, uint32_t row, const MemoryRow *from,
                uint32_t what) {
    TribError err;
    BatchColumn *to = &builder->columns[column];
    switch (what) {
    case 0: batch_set_int64(to, row, from->id); break;
    case 1: batch_set_int64(to, row, from->value); break;
    case 3: batch_set_int64(to, row, (int64_t)from->row_id); break;
    default:
        if (!from->note)
            batch_set_null(to, row);
        else
            assert_int_equal(batch_text(builder, to, row, from->note, strlen(from->note), &err),
                             TRIB_OK);
    }
}

static TribStatus rows_write(TribWriter *writer, const TribConnector *connector,
                             const uint32_t *what, uint32_t nwhat, const MemoryRow *rows,
                             uint32_t count, TribError *err) {
    TribType types[4];
    BatchBuilder *builder;
    TribBatch batch;
    TribStatus status = TRIB_OK;
    for (uint32_t i = 0; i < nwhat; i++)
        types[i] = what[i] < 3 ? column_types[what[i]] : column_types[0];
    assert_int_equal(batch_builder_new(NULL, types, nwhat, 1000, 1 << 20, &builder, err), TRIB_OK);
    for (uint32_t at = 0; at < count && status == TRIB_OK;) {
        assert_int_equal(batch_begin(builder, err), TRIB_OK);
        for (; at < count && !batch_full(builder); at++) {
            for (uint32_t i = 0; i < nwhat; i++) put(builder, i, builder->rows, &rows[at], what[i]);
            batch_row_done(builder);
        }
        batch_finish(builder, &batch);
        status = connector->write_batch(writer, &batch, err);
        batch.array.release(&batch.array);
    }
    batch_builder_free(builder);
    return status;
}

static TribStatus memory_write(MemoryFixture *self, TribTx *tx, TribWriteKind kind,
                               const char *name, const uint32_t *columns, uint32_t ncolumns,
                               const MemoryRow *rows, uint32_t count, TribError *err) {
    TestCall call;
    TribWriter *writer;
    Arena *arena = arena_new(NULL);
    TribError ignored;
    uint64_t written = 0;
    TribTable *table = memory_describe(self, tx, name, arena, err);
    if (!table) {
        TribStatus status = err->status;
        arena_free(arena);
        return status;
    }
    TribWriteRequest request = {.size = sizeof request,
                                .kind = kind,
                                .table = table,
                                .ncolumns = ncolumns,
                                .columns = columns,
                                .nkeys = kind == TRIB_WRITE_INSERT ? 0 : 1,
                                .transaction = tx};
    call_begin(self, tx, &call);
    TribStatus status =
        self->connector->write_open(self->catalog, &call.call, &request, &writer, err);
    if (status == TRIB_OK) {
        status = rows_write(writer, self->connector, columns, ncolumns, rows, count, err);
        TribStatus closed = self->connector->write_close(writer, status == TRIB_OK, &written,
                                                         status == TRIB_OK ? err : &ignored);
        if (status == TRIB_OK) {
            status = closed;
            if (closed == TRIB_OK) assert_int_equal(written, count);
        }
    }
    test_call_clear(&call);
    arena_free(arena);
    return status;
}

TribStatus memory_insert(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err) {
    static const uint32_t columns[] = {0, 1, 2};
    return memory_write(self, tx, TRIB_WRITE_INSERT, name, columns, 3, rows, count, err);
}

TribStatus memory_update(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err) {
    static const uint32_t columns[] = {3, 1};
    return memory_write(self, tx, TRIB_WRITE_UPDATE, name, columns, 2, rows, count, err);
}

TribStatus memory_delete(MemoryFixture *self, TribTx *tx, const char *name, const MemoryRow *rows,
                         uint32_t count, TribError *err) {
    static const uint32_t columns[] = {3};
    return memory_write(self, tx, TRIB_WRITE_DELETE, name, columns, 1, rows, count, err);
}

/* ---------------------------------------------------------------- reading */

static void batch_read(const TribBatch *batch, Rows *rows) {
    assert_true(rows_append(rows, batch));
}

static void split_read(MemoryFixture *self, TestCall *call, const TribPlan *plan,
                       const TribSplit *split, Rows *rows) {
    TribError err;
    TribScan *scan;
    struct ArrowSchema schema;
    TribScanRequest request = {.size = sizeof request,
                               .plan = plan,
                               .split = split,
                               .transaction = call->call.transaction,
                               .batch_rows = 2048,
                               .batch_bytes = 1 << 20};
    assert_int_equal(
        self->connector->scan_open(self->catalog, &call->call, &request, &scan, &schema, &err),
        TRIB_OK);
    for (;;) {
        TribBatch batch;
        assert_int_equal(self->connector->scan_next(scan, 0, &batch, &err), TRIB_OK);
        if (!batch.array.release) break;
        batch_read(&batch, rows);
        batch.array.release(&batch.array);
    }
    self->connector->scan_release(scan);
}

MemoryRow *memory_find(MemoryFixture *self, TribTx *tx, const char *name, const int64_t *id,
                       Arena *arena, uint32_t *count) {
    TribError err;
    TestCall call;
    TribPlan *plan;
    TribNode nodes[7];
    static const uint32_t condition[] = {4};
    TribVerdict verdict;
    TribValue wanted = {.type = column_types[0]};
    uint32_t output[] = {0, 1, 2, 3}, nsplits;
    TribTable *table = memory_describe(self, tx, name, arena, &err);
    if (!table) fail_msg("%s", err.message);
    const TribTable *tables[] = {table};
    for (uint32_t i = 0; i < 4; i++)
        nodes[i] = (TribNode){.kind = TRIB_NODE_COLUMN, .type = table->columns[i].type, .ref = i};
    nodes[4] = (TribNode){.kind = TRIB_NODE_CALL,
                          .op = TRIB_FN_eq,
                          .type = {.id = TRIB_TYPE_BOOLEAN},
                          .first = 5,
                          .count = 2};
    nodes[5] = nodes[0];
    nodes[6] = (TribNode){.kind = TRIB_NODE_LITERAL, .type = column_types[0]};
    if (id) wanted.as.integer = *id;
    TribOffer offer = {.size = sizeof offer,
                       .mode = TRIB_PUSHDOWN_EXACT,
                       .nnodes = 7,
                       .nodes = nodes,
                       .nvalues = 1,
                       .values = &wanted,
                       .nconjuncts = id ? 1 : 0,
                       .conjuncts = condition,
                       .verdicts = &verdict,
                       .ntables = 1,
                       .tables = tables,
                       .noutput = 4,
                       .output = output,
                       .limit = -1};
    call_begin(self, tx, &call);
    if (self->connector->plan(self->catalog, &call.call, &offer, &plan, &err) != TRIB_OK)
        fail_msg("%s", err.message);
    const TribSplit *const *splits;
    assert_int_equal(self->connector->splits(plan, &call.call, 8, &splits, &nsplits, &err),
                     TRIB_OK);
    Rows rows;
    TribType types[4] = {column_types[0], column_types[1], column_types[2], column_types[0]};
    rows_init(&rows, arena, 4, types);
    for (uint32_t i = 0; i < nsplits; i++) split_read(self, &call, plan, splits[i], &rows);
    self->connector->plan_release(plan);
    test_call_clear(&call);
    MemoryRow *out = ARENA_ARRAY(arena, MemoryRow, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        const TribValue *row = rows_at(&rows, i);
        out[i] =
            (MemoryRow){row[0].as.integer, row[1].as.integer, NULL, (uint64_t)row[3].as.integer};
        if (!row[2].is_null) {
            Str note = {row[2].as.text.data, row[2].as.text.length};
            out[i].note = str_dup(arena, note);
        }
    }
    *count = (uint32_t)rows.count;
    return out;
}

MemoryRow *memory_scan(MemoryFixture *self, TribTx *tx, const char *name, Arena *arena,
                       uint32_t *count) {
    return memory_find(self, tx, name, NULL, arena, count);
}

TribTx *memory_begin(MemoryFixture *self) {
    TribError err;
    TribTx *tx;
    TestCall call;
    TribTxRequest request = {.size = sizeof request};
    call_begin(self, NULL, &call);
    assert_int_equal(self->connector->tx_begin(self->catalog, &call.call, &request, &tx, &err),
                     TRIB_OK);
    test_call_clear(&call);
    return tx;
}

void memory_end(MemoryFixture *self, TribTx *tx, bool commit) {
    TribError err;
    TestCall call;
    call_begin(self, NULL, &call);
    assert_int_equal(self->connector->tx_end(tx, &call.call, commit, &err), TRIB_OK);
    test_call_clear(&call);
}
