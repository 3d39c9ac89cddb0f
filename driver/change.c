/*
 * change.c - rows that are changed through the cursor: what can be changed, the statements that do it and their
 * values, and the reading again of a row that was changed.
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
 * What waits for the engine is a step of its own (change.h): the call goes on where it was when it is polled.
 * change_rows.c carries out the steps of a call, change_add.c those of rows that are added.
 *
 * Threads: under the statement's lock. Memory: an arena per row, reset with each.
 */
#include "driver/change.h"

#include "driver/held.h"

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

SQLRETURN change_refused(Stmt *self) {
    const char *reason;
    if (change_offered(self, &reason)) return SQL_SUCCESS;
    return diag_error(&self->base,
                      self->options.concurrency == SQL_CONCUR_READ_ONLY ? ERR_ATTRIBUTE_ID
                                                                        : ERR_UNSUPPORTED,
                      "rows cannot be changed through the cursor: %s", reason);
}

/* ---------------------------------------------------------------- bound columns */

void column_declare(const Stmt *self, uint32_t column, DescRecord *out) {
    SizeDefaults sizes = self->dbc->sizes;
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

Status change_columns(Stmt *self, Error *err) {
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

SQLRETURN change_wait(const Stmt *self, Statement *engine, Error *err) {
    bool done = true;
    Status status = statement_wait(engine, self->change.polled ? 0 : -1, &done, err);
    if (status != TRIB_OK) return SQL_ERROR;
    return done ? SQL_SUCCESS : SQL_STILL_EXECUTING;
}

/* It is kept from one row and call to the next. */
Status change_prepare_start(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    Statement *engine;
    Buf text;
    TRY(helper_get(self, &change->engine, &engine, err));
    change->step = ROW_PREPARING;
    change->preparing = !shape_is(change);
    if (!change->preparing) return TRIB_OK;
    change->prepared = CHANGE_NONE;
    buf_init(&text, change->arena, INT32_MAX);
    text_change(self, &text);
    TRY(buf_status(&text, err));
    return statement_prepare_start(engine, buf_view(&text), err);
}

SQLRETURN change_prepare_end(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    if (!change->preparing) return SQL_SUCCESS;
    SQLRETURN result = change_wait(self, atomic_load(&change->engine), err);
    if (result != SQL_SUCCESS) return result;
    if (change->ncolumns)
        memcpy(change->shape, change->columns, change->ncolumns * sizeof(uint32_t));
    change->nshape = change->ncolumns;
    change->prepared = change->kind;
    return SQL_SUCCESS;
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

SQLINTEGER change_failed_column(const Stmt *self) {
    const RowChange *change = &self->change;
    uint32_t parameter = statement_failed_parameter(atomic_load(&change->engine));
    if (parameter == 0 || parameter > change->ncolumns) return SQL_NO_COLUMN_NUMBER;
    return (SQLINTEGER)change->columns[parameter - 1] + 1;
}

Status change_bind_given(Stmt *self, Statement *engine, SQLINTEGER *column, Error *err) {
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

Status change_show(Stmt *self, uint64_t number, const BatchView *now, Error *err) {
    ChangedRows *changed = &self->cursor.changed;
    bool open = session_in_transaction(self->dbc->session);
    cursor_settle(self);
    if (open) changed->transaction = dbc_transaction_number(self->dbc);
    return changed_put(changed, number, now, open, err);
}

/* The table's own columns among the result's, then the key. */
static Status reader_start(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    const UpdateTarget *target = target_of(self);
    Statement *reader;
    Buf text;
    TRY(helper_get(self, &change->reader, &reader, err));
    change->step = ROW_READER;
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
    return statement_prepare_start(reader, buf_view(&text), err);
}

/* A column that the query computes, of a row that it was not asked for. */
static Status column_unknown(const Stmt *self, Arena *arena, uint32_t column, ColumnView *out,
                             Error *err) {
    TribType type = stmt_column(self, column)->type;
    PhysicalType physical = type_physical(type);
    bool nested = physical == PHYS_LIST || physical == PHYS_ROW;
    if (nested) type = (TribType){.id = TRIB_TYPE_VARCHAR};
    *out = (ColumnView){.type = type, .physical = type_physical(type), .form = COLUMN_FLAT};
    TRY_ALLOC(out->validity, ARENA_NEW(arena, uint64_t), err);
    TRY_ALLOC(out->data, arena_array(arena, 1, physical_size(out->physical)), err);
    return TRIB_OK;
}

/* The row as it is now: its own columns of the table as read, those that the query computes as they were. */
static Status row_merge(Stmt *self, const BatchView *now, BatchView **out, Error *err) {
    const RowChange *change = &self->change;
    Arena *arena;
    ColumnView *columns;
    uint32_t count = stmt_column_count(self), read = 0, nkeys = target_of(self)->nkeys;
    TRY_ALLOC(arena, changed_arena(&self->cursor.changed), err);
    TRY_ALLOC(*out, ARENA_NEW(arena, BatchView), err);
    TRY_ALLOC(columns, ARENA_ARRAY(arena, ColumnView, count + nkeys), err);
    for (uint32_t i = 0; i < count + nkeys; i++) {
        if (i >= count || stmt_column(self, i)->base_name.len > 0)
            TRY(held_copy(arena, now, 0, read++, &columns[i], err));
        else if (change->old)
            TRY(held_copy(arena, change->old, change->logical, i, &columns[i], err));
        else
            TRY(column_unknown(self, arena, i, &columns[i], err));
    }
    **out = (BatchView){.rows = 1, .ncolumns = count + nkeys, .columns = columns};
    return TRIB_OK;
}

static Status reader_send(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    Statement *reader = atomic_load(&change->reader);
    change->reader_prepared = true;
    change->step = ROW_READING;
    for (uint32_t i = 0; i < target_of(self)->nkeys; i++)
        TRY(statement_bind(reader, i, &change->key[i], err));
    return statement_execute_start(reader, err);
}

/* A row that is no longer there is kept as deleted; one that was added is not, then. */
static Status reader_take(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    Statement *reader = atomic_load(&change->reader);
    const BatchView *now = statement_batch(reader);
    BatchView *merged = NULL;
    Status status = now->rows > 0 ? row_merge(self, now, &merged, err) : TRIB_OK;
    statement_close(reader);
    TRY(status);
    change->step = ROW_READ;
    change->found = merged != NULL;
    if (!merged && !change->old) return TRIB_OK;
    return change_show(self, change->number, merged, err);
}

SQLRETURN change_read_again(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    Statement *reader = atomic_load(&change->reader);
    bool waits =
        change->step != ROW_REREAD && (change->step != ROW_READER || !change->reader_prepared);
    SQLRETURN result = waits ? change_wait(self, reader, err) : SQL_SUCCESS;
    Status status = TRIB_OK;
    if (result != SQL_SUCCESS) return result;
    switch (change->step) {
    case ROW_REREAD: status = reader_start(self, err); break;
    case ROW_READER: status = reader_send(self, err); break;
    case ROW_READING:
        change->step = ROW_FETCHING;
        status = statement_fetch_start(reader, err);
        break;
    default: status = reader_take(self, err); break;
    }
    return status == TRIB_OK ? SQL_SUCCESS : SQL_ERROR;
}

Status change_key(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    const UpdateTarget *target = target_of(self);
    const BatchView *old = change->old;
    TribValue *key;
    TRY_ALLOC(key, ARENA_ARRAY(change->arena, TribValue, target->nkeys), err);
    for (uint32_t i = 0; i < target->nkeys; i++) {
        TRY(column_value(&old->columns[target->first_key + i], batch_position(old, change->logical),
                         change->arena, &key[i], err));
        for (uint32_t c = 0; c < change->ncolumns; c++) {
            uint32_t at = change->columns[c];
            ParamPlace place;
            DescRecord own;
            bool fraction;
            if (!str_equal(stmt_column(self, at)->base_name, target->keys[i])) continue;
            if (column_given(self, at, &own, &place))
                TRY(param_value(self, at, &place, change->arena, &key[i], &fraction, err));
        }
        char_strip(old->columns[target->first_key + i].type, &key[i]);
    }
    change->key = key;
    return TRIB_OK;
}

Status change_reread(Stmt *self, SQLULEN row, Error *err) {
    RowChange *change = &self->change;
    if (self->state >= STMT_NEED_DATA)
        return error_set(err, ERR_SEQUENCE, "another call is under way on the cursor");
    if (!change->arena) TRY_ALLOC(change->arena, arena_new(NULL), err);
    if (!cursor_locate(&self->cursor, row, &change->old, &change->logical)) return TRIB_OK;
    change->ncolumns = 0; /* none is written: the key is the one that it had */
    change->number = self->cursor.rowset_start + row;
    change->polled = false;
    change->step = ROW_REREAD;
    Status status = change_key(self, err);
    while (status == TRIB_OK && change->step != ROW_READ)
        if (change_read_again(self, err) == SQL_ERROR) status = err->status;
    arena_reset(change->arena);
    return status;
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
    adds_drop(self);
    arena_free(change->adds.arena);
    heap_free(change->shape);
    heap_free(change->columns);
    arena_free(change->arena);
}
