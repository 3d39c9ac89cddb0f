/*
 * writer.c - rows on their way into a table: CREATE TABLE AS, INSERT, UPDATE, DELETE.
 *
 * New rows are collected in row groups of the writer's own and join the table when it is closed, so that
 * nobody sees half of a statement; the keys are checked then. Rows to be deleted are marked as they come: who
 * loses a race learns it early. An UPDATE deletes the rows and adds new ones; the columns that it does
 * not set are copied from the old ones. A table of CREATE TABLE AS gets its name when the last row is in.
 *
 * Threads: a writer belongs to one thread at a time.
 */
#include "config.h"

#include <string.h>

#include "connectors/memory/scan.h"
#include "connectors/support/call.h"

struct TribWriter {
    TribCatalog *catalog;
    TribWriteKind kind;
    MemTable *table; /* NULL: the table is there already and rows are thrown away (IF NOT EXISTS) */
    MemTx *tx;
    bool own_tx, if_not_exists, failed;
    MemStatement statement;
    bool begun;        /* the statement */
    uint32_t ncolumns; /* of the rows that come */
    uint32_t *
        position; /* by column of the table: where it stands in the rows; UINT32_MAX = it does not */
    uint64_t rows;
    MemGroup *group; /* being filled */
    uint32_t ngroups, groups_capacity;
    MemGroup **groups; /* sealed */
};

/* Where an updated row comes from. */
typedef struct OldRow {
    MemGroup *group;
    uint32_t row;
} OldRow;

static void writer_free(TribWriter *self) {
    for (uint32_t i = 0; i < self->ngroups; i++) group_release(self->groups[i]);
    group_release(self->group);
    table_release(self->table);
    heap_free(self->groups);
    heap_free(self->position);
    heap_free(self);
}

/* ---------------------------------------------------------------- opening */

static Status writer_columns(TribWriter *self, const TribWriteRequest *request, Error *err) {
    uint32_t count = self->table->ncolumns;
    TRY_ALLOC(self->position, heap_alloc(sizeof(uint32_t) * (count + 1)), err);
    bool all = request->kind == TRIB_WRITE_CREATE || !request->columns;
    bool keyed = request->kind == TRIB_WRITE_UPDATE || request->kind == TRIB_WRITE_DELETE;
    self->ncolumns = all ? count : request->ncolumns;
    if (keyed && (request->ncolumns == 0 || request->columns[0] != count))
        return error_set(err, ERR_GENERAL, "rows in memory are changed by their %s", ROW_ID_NAME);
    for (uint32_t i = 0; i < count; i++) self->position[i] = all ? i : UINT32_MAX;
    for (uint32_t i = keyed; !all && i < request->ncolumns; i++) {
        if (request->columns[i] >= count)
            return error_set(err, ERR_COLUMN_NOT_FOUND, "the table has no such column");
        self->position[request->columns[i]] = i;
    }
    for (uint32_t i = 0; !keyed && i < count; i++) {
        if (self->position[i] == UINT32_MAX && !self->table->columns[i].nullable &&
            self->table->identity != i + 1)
            return error_set(err, ERR_CONSTRAINT,
                             "the column %s of %s.%s must not be NULL and gets no value",
                             self->table->columns[i].name, self->table->schema, self->table->name);
    }
    return TRIB_OK;
}

static Status writer_target(TribWriter *self, const TribWriteRequest *request, Error *err) {
    const TribTable *target = request->table;
    MemCatalog *store = self->catalog->store;
    MemTable *there = store_table(store, self->tx, target->schema, target->name);
    if (request->kind != TRIB_WRITE_CREATE) {
        if (!there) return store_no_table(store, target->schema, target->name, err);
        self->table = there;
        return table_check(there, target, err);
    }
    self->if_not_exists = request->if_not_exists;
    table_release(there);
    if (there && request->if_not_exists) return TRIB_OK;
    if (there)
        return error_set(err, ERR_TABLE_EXISTS, "the table %s.%s.%s exists already",
                         self->catalog->name, target->schema, target->name);
    if (!store_has_schema(store, self->tx, target->schema))
        return error_set(err, ERR_SCHEMA_NAME, "there is no schema %s.%s", self->catalog->name,
                         target->schema);
    return table_new(self->catalog->host, target, &self->table, err);
}

static Status writer_begin(TribWriter *self, const TribWriteRequest *request, Error *err) {
    if (request->transaction) {
        self->tx = request->transaction->tx;
    } else {
        TRY(tx_begin(self->catalog->store, &self->tx, err));
        self->own_tx = true;
    }
    TRY(writer_target(self, request, err));
    if (!self->table) return TRIB_OK;
    TRY(writer_columns(self, request, err));
    TRY(statement_begin(&self->statement, self->tx, self->table, err));
    self->begun = true;
    return TRIB_OK;
}

/* The statement and a transaction of its own end; what belongs to the writer is freed. */
static void writer_end(TribWriter *self, bool commit) {
    if (self->begun) statement_end(&self->statement, commit);
    if (self->own_tx) tx_end(self->tx, commit);
    writer_free(self);
}

static void write_explain(const TribWriteRequest *request) {
    static const char *const verbs[] = {[TRIB_WRITE_CREATE] = "create and fill",
                                        [TRIB_WRITE_INSERT] = "insert into",
                                        [TRIB_WRITE_UPDATE] = "update by row",
                                        [TRIB_WRITE_DELETE] = "delete by row from"};
    char text[512];
    (void)text_format(text, sizeof text, "%s %s.%s", verbs[request->kind], request->table->schema,
                      request->table->name);
    if (request->explain.text) request->explain.text(request->explain.self, text);
}

TribStatus memory_write_open(TribCatalog *catalog, TribCall *call, const TribWriteRequest *request,
                             TribWriter **out, TribError *err) {
    (void)call;
    TribWriter *self;
    *out = NULL;
    if (request->plan_only) {
        write_explain(request);
        return TRIB_OK;
    }
    TRY_ALLOC(self, heap_alloc(sizeof *self), err);
    self->catalog = catalog;
    self->kind = request->kind;
    Status status = writer_begin(self, request, err);
    if (status != TRIB_OK) {
        writer_end(self, false);
        return status;
    }
    *out = self;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows */

static Status writer_seal(TribWriter *self, Error *err) {
    if (!self->group || self->group->rows == 0) return TRIB_OK;
    TRY(group_seal(self->group, self->group->rows > GROUP_ROWS / 2, err));
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

/* err->row is the row among all of the statement. */
static Status nulls_check(const TribWriter *self, Error *err) {
    for (uint32_t i = 0; i < self->table->ncolumns; i++) {
        const Chunk *chunk = group_chunk(self->group, i);
        if (self->table->columns[i].nullable || chunk->nulls == 0) continue;
        uint32_t row = 0;
        while (bitmap_get(chunk_validity(chunk), row)) row++;
        (void)error_set(err, ERR_CONSTRAINT, "the column %s of %s.%s must not be NULL",
                        self->table->columns[i].name, self->table->schema, self->table->name);
        err->row = (uint32_t)(self->rows - self->group->rows + row);
        return err->status;
    }
    return TRIB_OK;
}

/* Column `column` of rows whose other columns are set: copied from the old rows, neighbours together. */
static Status column_carry(TribWriter *self, uint32_t column, const OldRow *old, uint32_t count,
                           Error *err) {
    for (uint32_t i = 0, run; i < count; i += run) {
        run = 1;
        while (i + run < count && old[i + run].group == old[i].group &&
               old[i + run].row == old[i].row + run)
            run++;
        TRY(group_copy_column(self->group, column, old[i].group, column, old[i].row, run, err));
    }
    return TRIB_OK;
}

/* The last `count` rows get numbers where the identity column is NULL. */
static Status numbers_give(TribWriter *self, Chunk *chunk, uint32_t count, Error *err) {
    int64_t most, first;
    uint32_t nulls = chunk_count_tail(chunk, count, &most);
    TRY(table_take_numbers(self->table, most, nulls, &first, err));
    if (nulls > 0) chunk_number_tail(chunk, count, first);
    return TRIB_OK;
}

/* Rows [from, from + count) of the batch, by column: from the batch, from the old row, or NULL. */
static Status rows_add(TribWriter *self, const struct ArrowArray *rows, uint32_t from,
                       uint32_t count, const OldRow *old, Error *err) {
    for (uint32_t i = 0; i < self->table->ncolumns; i++) {
        Chunk *chunk = &self->group->columns[i]->chunk;
        uint32_t position = self->position[i];
        if (position != UINT32_MAX)
            TRY(chunk_append(chunk, self->catalog->host, rows->children[position],
                             rows->offset + from, count, err));
        else if (old)
            TRY(column_carry(self, i, old, count, err));
        else
            TRY(chunk_append_nulls(chunk, self->catalog->host, count, err));
        if (self->table->identity == i + 1 && !old) TRY(numbers_give(self, chunk, count, err));
    }
    self->group->rows += count;
    self->rows += count;
    return nulls_check(self, err);
}

static Status rows_append(TribWriter *self, const struct ArrowArray *rows, uint32_t from,
                          uint32_t count, const OldRow *old, Error *err) {
    while (count > 0) {
        if (!self->group)
            TRY(group_new(self->catalog->host, self->table->columns, self->table->ncolumns,
                          &self->group, err));
        uint32_t room = GROUP_ROWS - self->group->rows, now = count < room ? count : room;
        TRY(rows_add(self, rows, from, now, old, err));
        from += now;
        count -= now;
        if (old) old += now;
        if (self->group->rows == GROUP_ROWS) TRY(writer_seal(self, err));
    }
    return TRIB_OK;
}

/* Runs of neighbours in the selection are appended together. old: by selected row, or NULL. */
static Status batch_append(TribWriter *self, const TribBatch *batch, const OldRow *old,
                           Error *err) {
    if (!batch->selection)
        return rows_append(self, &batch->array, 0, (uint32_t)batch->array.length, old, err);
    for (uint32_t i = 0, run; i < batch->selected; i += run) {
        run = 1;
        while (i + run < batch->selected && batch->selection[i + run] == batch->selection[i] + run)
            run++;
        TRY(rows_append(self, &batch->array, batch->selection[i], run, old ? old + i : NULL, err));
    }
    return TRIB_OK;
}

/* The ids of the rows to be changed, in the order of the selection. */
static Status batch_ids(const TribBatch *batch, Arena *arena, uint64_t **out, uint32_t *count,
                        Error *err) {
    const struct ArrowArray *column = batch->array.children[0];
    *count = batch->selection ? batch->selected : (uint32_t)batch->array.length;
    TRY_ALLOC(*out, ARENA_ARRAY(arena, uint64_t, *count), err);
    if (*count == 0) return TRIB_OK;
    if (column->n_buffers < 2 || !column->buffers[1])
        return error_set(err, ERR_GENERAL, "a batch to be written has no row ids");
    const uint64_t *ids =
        (const uint64_t *)column->buffers[1] + column->offset + batch->array.offset;
    for (uint32_t i = 0; i < *count; i++)
        (*out)[i] = ids[batch->selection ? batch->selection[i] : i];
    return TRIB_OK;
}

static Status batch_update(TribWriter *self, const TribBatch *batch, Arena *arena,
                           const uint64_t *ids, uint32_t count, Error *err) {
    OldRow *old;
    uint64_t commit;
    TRY_ALLOC(old, ARENA_ARRAY(arena, OldRow, count), err);
    MemVersion *version = table_version(self->table, &commit);
    Status status = TRIB_OK;
    for (uint32_t i = 0; i < count && status == TRIB_OK; i++) {
        if (!version_find(version, ids[i], &old[i].group, &old[i].row))
            status = error_set(err, ERR_GENERAL, "a row of %s.%s is not where it was",
                               self->table->schema, self->table->name);
    }
    if (status == TRIB_OK) status = batch_append(self, batch, old, err);
    version_release(version);
    return status;
}

static Status batch_write(TribWriter *self, const TribBatch *batch, Arena *arena, Error *err) {
    if (self->kind == TRIB_WRITE_CREATE || self->kind == TRIB_WRITE_INSERT)
        return batch_append(self, batch, NULL, err);
    uint64_t *ids;
    uint32_t count;
    TRY(batch_ids(batch, arena, &ids, &count, err));
    TRY(statement_delete(&self->statement, ids, count, err));
    if (self->kind == TRIB_WRITE_DELETE) return TRIB_OK;
    return batch_update(self, batch, arena, ids, count, err);
}

TribStatus memory_write_batch(TribWriter *writer, const TribBatch *batch, TribError *err) {
    if (!writer->table) return TRIB_OK;
    if (writer->failed)
        return error_set(err, ERR_SEQUENCE, "an earlier batch of this writer failed");
    if (batch->array.n_children != writer->ncolumns || batch->array.length > INT32_MAX)
        return error_set(err, ERR_GENERAL, "a batch to be written has the wrong shape");
    Arena *arena = arena_new(NULL);
    Status status = arena ? batch_write(writer, batch, arena, err) : error_out_of_memory(err);
    arena_free(arena);
    if (status != TRIB_OK) writer->failed = true;
    return status;
}

/* ---------------------------------------------------------------- closing */

/* *there: the table has come about meanwhile, and that is allowed. */
static Status writer_finish(TribWriter *self, bool *there, Error *err) {
    TRY(writer_seal(self, err));
    TRY(statement_insert(&self->statement, self->groups, self->ngroups, err));
    if (self->kind != TRIB_WRITE_CREATE) return TRIB_OK;
    Status status = store_add_table(self->catalog->store, self->tx, self->table, err);
    *there = status == TRIB_EXISTS && self->if_not_exists;
    return *there ? TRIB_OK : status;
}

TribStatus memory_write_close(TribWriter *writer, bool commit, uint64_t *rows, TribError *err) {
    Status status = TRIB_OK;
    bool there = false;
    uint64_t count = 0;
    if (commit && writer->failed)
        status = error_set(err, ERR_SEQUENCE, "a batch of this writer failed");
    else if (commit && writer->table)
        status = writer_finish(writer, &there, err);
    bool keep = commit && status == TRIB_OK && !there;
    if (keep) count = writer->rows ? writer->rows : writer->statement.rows_deleted;
    if (rows) *rows = count;
    writer_end(writer, keep);
    return status;
}
