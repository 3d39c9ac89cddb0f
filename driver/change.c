/*
 * change.c - rows that are changed through the cursor: SQLSetPos and SQLBulkOperations.
 *
 * The engine gives the rows of such a cursor with a key of their table (statement_update_target). A change is a
 * statement with parameters on a second engine statement of the same session, so in the same transaction:
 *
 *   UPDATE "c"."s"."t" SET "a" = ? WHERE "key" = ? AND "a" IS NOT DISTINCT FROM ? AND "b" ...
 *
 * The values of the row as the cursor has it are compared (SQL_CONCUR_VALUES): whoever changed it in between is not
 * overwritten, the row is reported with 01001. Afterwards the row is read again by its key, so that the
 * cursor shows what the source made of it (changed.c).
 *
 * Rows are carried out one after the other; one that fails is undone by itself and marked. A row whose bound
 * columns have data at execution waits for SQLParamData (putdata.c), which continues in change_run.
 *
 * Threads: under the statement's lock. Memory: an arena per row, reset with each.
 */
#include "driver/change.h"

#include "driver/bookmark.h"
#include "driver/held.h"
#include "driver/params.h"

/* ---------------------------------------------------------------- what can be changed */

bool change_offered(const Stmt *self, const char **reason) {
    const char *why = "";
    Statement *engine = atomic_load(&self->engine);
    bool offered = false;
    if (self->options.concurrency == SQL_CONCUR_READ_ONLY)
        why = "SQL_ATTR_CONCURRENCY is SQL_CONCUR_READ_ONLY";
    else if (self->cursor.rows || !engine || !self->has_result)
        why = "the rows are those of a catalog function";
    else
        offered = statement_update_target(engine, &why) != NULL;
    if (reason) *reason = why;
    return offered;
}

static const UpdateTarget *target_of(const Stmt *self) {
    return statement_update_target(atomic_load(&self->engine), NULL);
}

/* HY092 where the cursor was asked to be read-only, HYC00 where it cannot be anything else. */
static SQLRETURN change_refused(Stmt *self) {
    const char *reason;
    if (change_offered(self, &reason)) return SQL_SUCCESS;
    return diag_error(&self->base,
                      self->options.concurrency == SQL_CONCUR_READ_ONLY ? ERR_ATTRIBUTE_ID
                                                                        : ERR_UNSUPPORTED,
                      "rows cannot be changed through the cursor: %s", reason);
}

/* ---------------------------------------------------------------- bound columns */

/* The SQL type of a column as the declared type of a parameter. */
static void column_declare(const Stmt *self, uint32_t column, DescRecord *out) {
    SizeDefaults sizes = {self->dbc->string_length, self->dbc->complex_length};
    SqlType type;
    sqltype_of(stmt_column(self, column)->type, &sizes, &type);
    *out = (DescRecord){.concise = type.concise,
                        .type = type.verbose,
                        .length = type.size,
                        .scale = type.digits < 0 ? 0 : type.digits};
}

/* The buffers of a bound column for the row under way; false: it is not bound or not to be written. */
static bool column_given(const Stmt *self, uint32_t column, DescRecord *own, ParamPlace *out) {
    const DescRecord *app = desc_find(self->ard, column + 1);
    if (!app || !app->data || !stmt_column(self, column)->writable) return false;
    column_declare(self, column, own);
    column_place(self->ard, app, own, self->change.row, out);
    return !out->length || param_length(out->length) != SQL_COLUMN_IGNORE;
}

uint32_t change_next_at_execution(Stmt *self, uint32_t from) {
    uint32_t count = stmt_column_count(self);
    bool written = self->change.kind == CHANGE_UPDATE || self->change.kind == CHANGE_ADD;
    for (uint32_t i = from; written && i < count; i++) {
        ParamPlace place;
        DescRecord own;
        if (column_given(self, i, &own, &place) && place.length &&
            param_length_waits(param_length(place.length)))
            return i;
    }
    return UINT32_MAX;
}

SQLPOINTER change_token(Stmt *self, uint32_t column) {
    ParamPlace place;
    DescRecord own;
    return column_given(self, column, &own, &place) ? place.data : NULL;
}

SQLSMALLINT change_ctype(Stmt *self, uint32_t column) {
    ParamPlace place;
    DescRecord own;
    return column_given(self, column, &own, &place) ? place.ctype : SQL_C_CHAR;
}

/* The columns whose values the row under way gets. */
static Status columns_collect(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    uint32_t count = stmt_column_count(self);
    change->ncolumns = 0;
    if (change->kind == CHANGE_DELETE) return TRIB_OK;
    if (count > change->capacity) {
        uint32_t *columns = heap_resize(change->columns, count * sizeof *columns);
        if (columns) change->columns = columns;
        uint32_t *shape = columns ? heap_resize(change->shape, count * sizeof *shape) : NULL;
        if (!shape) return error_out_of_memory(err);
        change->shape = shape;
        change->capacity = count;
    }
    for (uint32_t i = 0; i < count; i++) {
        ParamPlace place;
        DescRecord own;
        if (column_given(self, i, &own, &place)) change->columns[change->ncolumns++] = i;
    }
    if (change->ncolumns > 0) return TRIB_OK;
    return error_set(err, ERR_COLUMN_LIST,
                     "no column is to be written: all are unbound, read-only or ignored");
}

/* ---------------------------------------------------------------- the statement */

static void text_name(Buf *out, Str name) {
    buf_char(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"') buf_char(out, '"');
        buf_char(out, name.data[i]);
    }
    buf_char(out, '"');
}

static void text_table(Buf *out, const UpdateTarget *target) {
    text_name(out, target->catalog);
    buf_char(out, '.');
    text_name(out, target->schema);
    buf_char(out, '.');
    text_name(out, target->table);
}

static void text_key(Buf *out, const UpdateTarget *target) {
    buf_text(out, " WHERE ");
    for (uint32_t i = 0; i < target->nkeys; i++) {
        if (i) buf_text(out, " AND ");
        text_name(out, target->keys[i]);
        buf_text(out, " = ?");
    }
}

void change_text_condition(const Stmt *self, Buf *out) {
    text_key(out, target_of(self));
    for (uint32_t i = 0; i < stmt_column_count(self); i++) {
        const ColumnInfo *column = stmt_column(self, i);
        if (!column->writable) continue;
        buf_text(out, " AND ");
        text_name(out, column->base_name);
        buf_text(out, " IS NOT DISTINCT FROM ?");
    }
}

uint32_t change_condition_count(const Stmt *self) {
    uint32_t count = target_of(self)->nkeys;
    for (uint32_t i = 0; i < stmt_column_count(self); i++) count += stmt_column(self, i)->writable;
    return count;
}

static void text_insert(const Stmt *self, const UpdateTarget *target, Buf *out) {
    const RowChange *change = &self->change;
    buf_text(out, "INSERT INTO ");
    text_table(out, target);
    for (uint32_t i = 0; i < change->ncolumns; i++) {
        buf_text(out, i ? ", " : " (");
        text_name(out, stmt_column(self, change->columns[i])->base_name);
    }
    buf_text(out, ") VALUES ");
    for (uint32_t i = 0; i < change->ncolumns; i++) buf_text(out, i ? ", ?" : "(?");
    buf_char(out, ')');
}

static void text_change(const Stmt *self, Buf *out) {
    const RowChange *change = &self->change;
    const UpdateTarget *target = target_of(self);
    if (change->kind == CHANGE_ADD) {
        text_insert(self, target, out);
        return;
    }
    buf_text(out, change->kind == CHANGE_UPDATE ? "UPDATE " : "DELETE FROM ");
    text_table(out, target);
    for (uint32_t i = 0; i < change->ncolumns; i++) {
        buf_text(out, i ? ", " : " SET ");
        text_name(out, stmt_column(self, change->columns[i])->base_name);
        buf_text(out, " = ?");
    }
    change_text_condition(self, out);
}

/* A statement of the engine beside the cursor's own; SQLCancel finds it there. */
static Status helper_get(Stmt *self, _Atomic(Statement *) *place, Statement **out, Error *err) {
    *out = atomic_load(place);
    if (!*out) {
        TRY(statement_new(self->dbc->session, out, err));
        statement_set_warning_sink(*out, handle_warning_sink, &self->base);
        statement_watch_cancel(*out, &self->cancel_wanted);
        atomic_store(place, *out);
    }
    statement_set_timeout(*out, (int64_t)self->options.query_timeout);
    return TRIB_OK;
}

static bool shape_is(const RowChange *self) {
    return self->prepared == self->kind && self->nshape == self->ncolumns &&
           (self->ncolumns == 0 ||
            memcmp(self->shape, self->columns, self->ncolumns * sizeof *self->columns) == 0);
}

/* The statement for the columns of the row under way: kept from one row and call to the next. */
static Status change_prepare(Stmt *self, Statement **engine, Error *err) {
    RowChange *change = &self->change;
    Buf text;
    TRY(helper_get(self, &change->engine, engine, err));
    if (shape_is(change)) return TRIB_OK;
    change->prepared = CHANGE_NONE;
    buf_init(&text, change->arena, INT32_MAX);
    text_change(self, &text);
    TRY(buf_status(&text, err));
    TRY(statement_prepare(*engine, buf_view(&text), err));
    if (change->ncolumns)
        memcpy(change->shape, change->columns, change->ncolumns * sizeof(uint32_t));
    change->nshape = change->ncolumns;
    change->prepared = change->kind;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- its values */

static uint32_t batch_position(const BatchView *batch, uint32_t logical) {
    return batch->selection ? batch->selection[logical] : logical;
}

/* A value to be compared with a char(n): as a varchar it would be padded, and be another. */
static void char_strip(TribType column, TribValue *value) {
    bool text = value->type.id == TRIB_TYPE_CHAR || value->type.id == TRIB_TYPE_VARCHAR;
    if (column.id != TRIB_TYPE_CHAR || !text) return;
    value->type = (TribType){.id = TRIB_TYPE_VARCHAR};
    if (value->is_null) return;
    while (value->as.text.length > 0 && value->as.text.data[value->as.text.length - 1] == ' ')
        value->as.text.length--;
}

static Status bind_value(Statement *engine, uint32_t slot, Arena *arena, const BatchView *batch,
                         uint32_t logical, uint32_t column, Error *err) {
    TribValue value;
    TRY(column_value(&batch->columns[column], batch_position(batch, logical), arena, &value, err));
    char_strip(batch->columns[column].type, &value);
    return statement_bind(engine, slot, &value, err);
}

Status change_bind_condition(const Stmt *cursor, Statement *engine, Arena *arena,
                             const BatchView *batch, uint32_t logical, uint32_t slot, Error *err) {
    const UpdateTarget *target = target_of(cursor);
    for (uint32_t i = 0; i < target->nkeys; i++)
        TRY(bind_value(engine, slot++, arena, batch, logical, target->first_key + i, err));
    for (uint32_t i = 0; i < stmt_column_count(cursor); i++)
        if (stmt_column(cursor, i)->writable)
            TRY(bind_value(engine, slot++, arena, batch, logical, i, err));
    return TRIB_OK;
}

/* What the application has in the bound buffers. *column: which one failed, from 1. */
static Status bind_given(Stmt *self, Statement *engine, SQLINTEGER *column, Error *err) {
    RowChange *change = &self->change;
    for (uint32_t i = 0; i < change->ncolumns; i++) {
        uint32_t at = change->columns[i];
        ParamPlace place;
        DescRecord own;
        TribValue value;
        bool fraction;
        *column = (SQLINTEGER)at + 1;
        if (!column_given(self, at, &own, &place))
            return error_set(err, ERR_GENERAL, "column %u is no longer bound", at + 1);
        TRY(param_value(self, at, &place, change->arena, &value, &fraction, err));
        if (fraction)
            diag_row(&self->base, err, false, (SQLLEN)change->row + 1, (SQLINTEGER)at + 1);
        TRY(statement_bind(engine, i, &value, err));
    }
    *column = SQL_NO_COLUMN_NUMBER;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- reading a row again */

void cursor_settle(Stmt *self) {
    ChangedRows *changed = &self->cursor.changed;
    bool committed;
    if (changed->nopen > 0 && dbc_transaction_over(self->dbc, changed->transaction, &committed))
        changed_end(changed, committed);
}

/* The cursor shows the row as it is now (NULL: deleted), in a transaction until that is taken back. */
static Status row_show(Stmt *self, uint64_t number, const BatchView *now, Error *err) {
    ChangedRows *changed = &self->cursor.changed;
    bool open = session_in_transaction(self->dbc->session);
    cursor_settle(self);
    if (open) changed->transaction = dbc_transaction_number(self->dbc);
    return changed_put(changed, number, now, open, err);
}

/* The table's own columns among the result's, then the key. */
static Status reader_prepare(Stmt *self, Statement **reader, Error *err) {
    RowChange *change = &self->change;
    const UpdateTarget *target = target_of(self);
    Buf text;
    TRY(helper_get(self, &change->reader, reader, err));
    if (change->reader_prepared) return TRIB_OK;
    buf_init(&text, change->arena, INT32_MAX);
    buf_text(&text, "SELECT ");
    for (uint32_t i = 0; i < stmt_column_count(self); i++) {
        const ColumnInfo *column = stmt_column(self, i);
        if (column->base_name.len == 0) continue;
        text_name(&text, column->base_name);
        buf_text(&text, ", ");
    }
    for (uint32_t i = 0; i < target->nkeys; i++) {
        if (i) buf_text(&text, ", ");
        text_name(&text, target->keys[i]);
    }
    buf_text(&text, " FROM ");
    text_table(&text, target);
    text_key(&text, target);
    TRY(buf_status(&text, err));
    TRY(statement_prepare(*reader, buf_view(&text), err));
    change->reader_prepared = true;
    return TRIB_OK;
}

/* The row as it is now: its own columns of the table as read, those that the query computes as they were. */
static Status row_merge(Stmt *self, const BatchView *now, const BatchView *old, uint32_t logical,
                        BatchView **out, Error *err) {
    Arena *arena;
    ColumnView *columns;
    uint32_t count = stmt_column_count(self), read = 0, nkeys = target_of(self)->nkeys;
    TRY_ALLOC(arena, changed_arena(&self->cursor.changed), err);
    TRY_ALLOC(*out, ARENA_NEW(arena, BatchView), err);
    TRY_ALLOC(columns, ARENA_ARRAY(arena, ColumnView, count + nkeys), err);
    for (uint32_t i = 0; i < count + nkeys; i++) {
        bool own = i >= count || stmt_column(self, i)->base_name.len > 0;
        TRY(own ? held_copy(arena, now, 0, read++, &columns[i], err)
                : held_copy(arena, old, logical, i, &columns[i], err));
    }
    **out = (BatchView){.rows = 1, .ncolumns = count + nkeys, .columns = columns};
    return TRIB_OK;
}

static Status reader_fetch(Statement *reader, const BatchView **out, Error *err) {
    TRY(statement_execute(reader, err));
    return statement_fetch(reader, out, err);
}

/* Keeps the row as it is now in place of `old`; a row that is no longer there as deleted. */
static Status row_reread(Stmt *self, uint64_t number, const TribValue *keys, const BatchView *old,
                         uint32_t logical, Error *err) {
    Statement *reader;
    const BatchView *now;
    BatchView *merged = NULL;
    TRY(reader_prepare(self, &reader, err));
    for (uint32_t i = 0; i < target_of(self)->nkeys; i++)
        TRY(statement_bind(reader, i, &keys[i], err));
    Status status = reader_fetch(reader, &now, err);
    if (status == TRIB_OK && now->rows > 0)
        status = row_merge(self, now, old, logical, &merged, err);
    statement_close(reader);
    TRY(status);
    return row_show(self, number, merged, err);
}

/* The key that the row has after the change: the one it had, or what its columns were set to. */
static Status key_after(Stmt *self, const BatchView *old, uint32_t logical, TribValue **out,
                        Error *err) {
    RowChange *change = &self->change;
    const UpdateTarget *target = target_of(self);
    TRY_ALLOC(*out, ARENA_ARRAY(change->arena, TribValue, target->nkeys), err);
    for (uint32_t i = 0; i < target->nkeys; i++) {
        TRY(column_value(&old->columns[target->first_key + i], batch_position(old, logical),
                         change->arena, &(*out)[i], err));
        for (uint32_t c = 0; c < change->ncolumns; c++) {
            uint32_t at = change->columns[c];
            ParamPlace place;
            DescRecord own;
            bool fraction;
            if (!str_equal(stmt_column(self, at)->base_name, target->keys[i])) continue;
            if (column_given(self, at, &own, &place))
                TRY(param_value(self, at, &place, change->arena, &(*out)[i], &fraction, err));
        }
        char_strip(old->columns[target->first_key + i].type, &(*out)[i]);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- a row */

/* The row that is meant: of the rowset, or named by the bookmark in its buffer. NULL batch: it is gone. */
static Status row_find(Stmt *self, uint64_t *number, const BatchView **batch, uint32_t *logical,
                       Error *err) {
    const RowChange *change = &self->change;
    *number = self->cursor.rowset_start + change->row;
    if (change->bulk && !bookmark_read(self, change->row, number))
        return error_set(err, ERR_BOOKMARK, "row %llu of the buffers has no bookmark",
                         (unsigned long long)change->row + 1);
    TRY(cursor_seek(self, *number, batch, logical, err));
    if (*batch) return TRIB_OK;
    const ChangedRow *changed = changed_find(&self->cursor.changed, *number);
    if (changed) return error_set(err, ERR_CURSOR_POSITION, "the row has been deleted");
    return error_set(err, change->bulk ? ERR_BOOKMARK : ERR_CURSOR_POSITION,
                     "the cursor has no row %llu", (unsigned long long)*number);
}

static void status_put(const RowChange *self, SQLUSMALLINT status) {
    if (self->status) self->status[self->row] = status;
}

/* Nobody has it any more as the cursor knows it. */
static void row_conflict(Stmt *self, int64_t rows) {
    Error err;
    (void)error_set(&err, ERR_CURSOR_CONFLICT,
                    "%lld rows were changed: the row has been changed or deleted since it was read",
                    (long long)rows);
    diag_row(&self->base, &err, false, (SQLLEN)self->change.row + 1, SQL_NO_COLUMN_NUMBER);
    status_put(&self->change, SQL_ROW_ERROR);
}

static Status row_execute(Stmt *self, const BatchView *batch, uint32_t logical, int64_t *rows,
                          SQLINTEGER *column, Error *err) {
    Statement *engine;
    TRY(columns_collect(self, err));
    TRY(change_prepare(self, &engine, err));
    TRY(bind_given(self, engine, column, err));
    if (batch)
        TRY(change_bind_condition(self, engine, self->change.arena, batch, logical,
                                  self->change.ncolumns, err));
    TRY(statement_execute(engine, err));
    *rows = statement_row_count(engine);
    return TRIB_OK;
}

/* The change has been made: what goes wrong now is a warning, and the cursor goes on with the row as it was. */
static void row_changed(Stmt *self, uint64_t number, const BatchView *batch, uint32_t logical) {
    RowChange *change = &self->change;
    Error err;
    TribValue *key;
    Status status = TRIB_OK;
    if (change->kind == CHANGE_DELETE) status = row_show(self, number, NULL, &err);
    if (change->kind == CHANGE_UPDATE) {
        status = key_after(self, batch, logical, &key, &err);
        if (status == TRIB_OK) status = row_reread(self, number, key, batch, logical, &err);
    }
    if (status != TRIB_OK)
        diag_row(&self->base, &err, false, (SQLLEN)change->row + 1, SQL_NO_COLUMN_NUMBER);
}

static Status row_write(Stmt *self, SQLINTEGER *column, Error *err) {
    static const SQLUSMALLINT states[] = {[CHANGE_UPDATE] = SQL_ROW_UPDATED,
                                          [CHANGE_DELETE] = SQL_ROW_DELETED,
                                          [CHANGE_ADD] = SQL_ROW_ADDED};
    RowChange *change = &self->change;
    uint64_t number = 0;
    const BatchView *batch = NULL;
    uint32_t logical = 0;
    int64_t rows = 0;
    if (change->kind != CHANGE_ADD) TRY(row_find(self, &number, &batch, &logical, err));
    TRY(row_execute(self, batch, logical, &rows, column, err));
    self->row_count += rows;
    if (rows != 1) {
        row_conflict(self, rows);
        return TRIB_OK;
    }
    status_put(change, states[change->kind]);
    row_changed(self, number, batch, logical);
    return TRIB_OK;
}

/* SQL_FETCH_BY_BOOKMARK: as the cursor has the row. */
static Status row_read(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    uint64_t number;
    const BatchView *batch;
    uint32_t logical;
    Status status = row_find(self, &number, &batch, &logical, err);
    if (status != TRIB_OK) {
        if (!changed_find(&self->cursor.changed, number) || err->status == TRIB_MEMORY)
            return status;
        status_put(change, SQL_ROW_DELETED);
        return TRIB_OK;
    }
    SQLULEN failed = self->fetch.failed;
    if (cursor_fill(self, batch, logical, change->row) != SQL_SUCCESS)
        return error_set(err, ERR_TYPE_ATTRIBUTE, "the row could not be put into the buffers");
    bool bad = self->fetch.failed > failed;
    change->failed += bad;
    status_put(change, bad ? SQL_ROW_ERROR : SQL_ROW_SUCCESS);
    return TRIB_OK;
}

/* ---------------------------------------------------------------- all rows of a call */

/* Would the rows behind it fare better? */
static bool ends_the_call(const Error *err) {
    return err->status == TRIB_CANCELLED || err->status == TRIB_TIMEOUT ||
           err->status == TRIB_LOST || err->status == TRIB_MEMORY;
}

static SQLRETURN row_run(Stmt *self) {
    RowChange *change = &self->change;
    Error err;
    SQLINTEGER column = SQL_NO_COLUMN_NUMBER;
    change->tried++;
    Status status =
        change->kind == CHANGE_FETCH ? row_read(self, &err) : row_write(self, &column, &err);
    arena_reset(change->arena);
    if (status == TRIB_OK) return SQL_SUCCESS;
    change->failed++;
    status_put(change, SQL_ROW_ERROR);
    diag_row(&self->base, &err, true, (SQLLEN)change->row + 1, column);
    return ends_the_call(&err) ? SQL_ERROR : SQL_SUCCESS;
}

static SQLRETURN change_finish(Stmt *self) {
    const RowChange *change = &self->change;
    self->base.diag.row_count = self->row_count;
    if (change->failed == 0) return SQL_SUCCESS;
    if (change->failed == change->tried) return SQL_ERROR;
    diag_warning(&self->base, ERR_ROW_ERROR, "%llu of %llu rows failed",
                 (unsigned long long)change->failed, (unsigned long long)change->tried);
    return SQL_SUCCESS;
}

/* Rows that the application wants to be left out; SQLBulkOperations takes all of them. */
static bool row_ignored(const Stmt *self) {
    const RowChange *change = &self->change;
    const SQLUSMALLINT *operation = self->ard->array_status;
    return change->several && !change->bulk && operation &&
           operation[change->row] == SQL_ROW_IGNORE;
}

/* The row under way waits for data that has not been given. */
static bool row_waits(Stmt *self) {
    CallSlot *slot = &self->slot;
    if (slot->given_row == self->change.row + 1) return false;
    uint32_t column = change_next_at_execution(self, 0);
    if (column == UINT32_MAX) return false;
    slot->row = self->change.row;
    slot->param = column;
    self->state_before = self->state;
    self->state = STMT_NEED_DATA;
    return true;
}

static SQLRETURN rows_run(Stmt *self) {
    RowChange *change = &self->change;
    for (; change->row < change->end; change->row++) {
        if (row_ignored(self)) continue;
        if (row_waits(self)) return SQL_NEED_DATA;
        SQLRETURN result = row_run(self);
        if (result != SQL_SUCCESS) return result;
    }
    return change_finish(self);
}

SQLRETURN change_run(Stmt *self) {
    Desc *ard = self->ard;
    bool locked = !ard->automatic && handle_lock(ard->base.id, SQL_HANDLE_DESC);
    SQLRETURN result = rows_run(self);
    if (locked) handle_unlock(&ard->base);
    if (result == SQL_NEED_DATA) return result;
    stmt_drop_puts(self);
    self->slot = (CallSlot){0};
    return result;
}

/* The application's, of the function that fetched. */
static SQLUSMALLINT *status_array(const Stmt *self) {
    return self->state == STMT_EXTENDED ? self->fetch.status : self->ird->array_status;
}

/* row: number of the one row of the buffers, from 1; 0: all `rows` of them. */
static SQLRETURN change_begin(Stmt *self, ChangeKind kind, SQLULEN row, SQLULEN rows, bool bulk) {
    RowChange *change = &self->change;
    if (!change->arena && !(change->arena = arena_new(NULL))) return diag_no_memory(&self->base);
    change->kind = kind;
    change->bulk = bulk;
    change->several = row == 0;
    change->row = row ? row - 1 : 0;
    change->end = row ? row : rows;
    change->failed = change->tried = 0;
    change->status = status_array(self);
    self->slot = (CallSlot){.rows = true};
    cursor_settle(self);
    if (kind != CHANGE_FETCH) self->row_count = 0;
    part_reset(&self->cursor.part);
    return change_run(self);
}

/* ---------------------------------------------------------------- SQLSetPos */

Status change_reread(Stmt *self, SQLULEN row, Error *err) {
    RowChange *change = &self->change;
    const BatchView *batch;
    uint32_t logical;
    TribValue *key;
    if (!change->arena) TRY_ALLOC(change->arena, arena_new(NULL), err);
    if (!cursor_locate(&self->cursor, row, &batch, &logical)) return TRIB_OK;
    change->ncolumns = 0; /* none is written: the key is the one that it had */
    Status status = key_after(self, batch, logical, &key, err);
    if (status == TRIB_OK)
        status = row_reread(self, self->cursor.rowset_start + row, key, batch, logical, err);
    arena_reset(change->arena);
    return status;
}

/* What others made of the rows meanwhile, where a key finds them. */
static SQLRETURN rows_refresh(Stmt *self, SQLSETPOSIROW row) {
    SQLULEN first = row ? row - 1 : 0, last = row ? row : self->cursor.rowset_rows;
    const SQLUSMALLINT *operation = row ? NULL : self->ard->array_status;
    SQLUSMALLINT *states = status_array(self);
    Error err;
    for (SQLULEN i = first; i < last; i++) {
        if (operation && operation[i] == SQL_ROW_IGNORE) continue;
        if (change_reread(self, i, &err) != TRIB_OK) return diag_engine(&self->base, &err);
        const ChangedRow *changed =
            changed_find(&self->cursor.changed, self->cursor.rowset_start + i);
        if (states) states[i] = changed && !changed->batch ? SQL_ROW_DELETED : SQL_ROW_SUCCESS;
    }
    return SQL_SUCCESS;
}

/* Rows of the buffers, those that the last fetch did not fill among them: SQL_ADD takes its values there. */
static SQLULEN buffer_rows(const Stmt *self) {
    return self->fetch.size > self->ard->array_size ? self->fetch.size : self->ard->array_size;
}

static SQLRETURN set_pos_change(Stmt *self, SQLSETPOSIROW row, SQLUSMALLINT operation) {
    static const ChangeKind kinds[] = {
        [SQL_UPDATE] = CHANGE_UPDATE, [SQL_DELETE] = CHANGE_DELETE, [SQL_ADD] = CHANGE_ADD};
    SQLULEN rows = operation == SQL_ADD ? buffer_rows(self) : self->cursor.rowset_rows;
    if (change_refused(self) != SQL_SUCCESS) return SQL_ERROR;
    if (operation != SQL_ADD && row > 0) self->cursor.current = row - 1;
    return change_begin(self, kinds[operation], row, rows, false);
}

SQLRETURN stmt_set_pos(Stmt *self, SQLSETPOSIROW row, SQLUSMALLINT operation, SQLUSMALLINT lock) {
    Cursor *cursor = &self->cursor;
    if (operation > SQL_ADD || lock > SQL_LOCK_UNLOCK)
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no operation %u with lock %u",
                          (unsigned)operation, (unsigned)lock);
    if (lock != SQL_LOCK_NO_CHANGE)
        return diag_error(&self->base, ERR_UNSUPPORTED, "rows cannot be locked");
    SQLULEN most = operation == SQL_ADD ? buffer_rows(self) : cursor->rowset_rows;
    if (row > most)
        return diag_error(&self->base, ERR_ROW_RANGE, "the rowset has %llu rows",
                          (unsigned long long)most);
    if (row == 0 && most == 0)
        return diag_error(&self->base, ERR_CURSOR_STATE, "the cursor is on no row");
    cursor->data_wanted = true;
    cursor_settle(self);
    if (operation == SQL_REFRESH) {
        if (change_offered(self, NULL) && rows_refresh(self, row) != SQL_SUCCESS) return SQL_ERROR;
        return cursor_refill(self, row);
    }
    if (operation != SQL_POSITION) return set_pos_change(self, row, operation);
    if (row == 0)
        return diag_error(&self->base, ERR_CURSOR_POSITION, "a position is a row of the rowset");
    cursor->current = row - 1;
    part_reset(&cursor->part);
    return SQL_SUCCESS;
}

/* ---------------------------------------------------------------- SQLBulkOperations */

static SQLRETURN bookmarks_usable(Stmt *self) {
    const DescRecord *record = desc_find(self->ard, 0);
    if (self->options.use_bookmarks == SQL_UB_OFF || !record || !record->data)
        return diag_error(
            &self->base, ERR_ATTRIBUTE_ID,
            "column 0 is not bound to bookmarks (SQL_ATTR_USE_BOOKMARKS, SQLBindCol)");
    if (self->cursor.scrollable) return SQL_SUCCESS;
    return diag_error(&self->base, ERR_UNSUPPORTED,
                      "the bookmarks of a forward-only cursor lead to no row");
}

SQLRETURN stmt_bulk_operations(Stmt *self, SQLSMALLINT operation) {
    static const ChangeKind kinds[] = {[SQL_ADD] = CHANGE_ADD,
                                       [SQL_UPDATE_BY_BOOKMARK] = CHANGE_UPDATE,
                                       [SQL_DELETE_BY_BOOKMARK] = CHANGE_DELETE,
                                       [SQL_FETCH_BY_BOOKMARK] = CHANGE_FETCH};
    if (operation < SQL_ADD || operation > SQL_FETCH_BY_BOOKMARK)
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no operation %d",
                          (int)operation);
    ChangeKind kind = kinds[operation];
    if (kind != CHANGE_FETCH && change_refused(self) != SQL_SUCCESS) return SQL_ERROR;
    if (kind != CHANGE_ADD && bookmarks_usable(self) != SQL_SUCCESS) return SQL_ERROR;
    self->cursor.data_wanted = true;
    if (kind == CHANGE_FETCH) {
        self->fetch.size = self->ard->array_size;
        self->row_status_size = 0;
    }
    return change_begin(self, kind, 0, self->ard->array_size, true);
}

/* ---------------------------------------------------------------- life */

void change_forget(Stmt *self) {
    self->change.prepared = CHANGE_NONE;
    self->change.reader_prepared = false;
}

void change_cancel(Stmt *self) {
    Statement *engine = atomic_load(&self->change.engine);
    Statement *reader = atomic_load(&self->change.reader);
    if (engine) statement_cancel(engine);
    if (reader) statement_cancel(reader);
}

void change_free(Stmt *self) {
    RowChange *change = &self->change;
    Statement *engine = atomic_load(&change->engine), *reader = atomic_load(&change->reader);
    if (engine) statement_free(engine);
    if (reader) statement_free(reader);
    heap_free(change->shape);
    heap_free(change->columns);
    arena_free(change->arena);
}
