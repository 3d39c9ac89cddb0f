/*
 * change_rows.c - the calls that change rows through the cursor: SQLSetPos and SQLBulkOperations.
 *
 * A call is a row, or all rows of the buffers; rows are carried out one after the other (those that are added in
 * runs: change_add.c), one that fails is undone by itself and marked. What a row waits for is a step (change.h):
 * SQL_STILL_EXECUTING leaves the call there, and the next call of the same function goes on in change_run. A
 * row whose bound columns have data at execution waits for SQLParamData (putdata.c), which continues there, too.
 *
 * Threads: under the statement's lock, and that of an explicit ARD while a step is carried out. Memory: an arena
 * per row, reset with each.
 */
#include "driver/bookmark.h"
#include "driver/change.h"

/* ---------------------------------------------------------------- a row */

/* The row that is meant: of the rowset, or named by the bookmark in its buffer. */
static Status row_find(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    change->number = self->cursor.rowset_start + change->row;
    if (change->bulk && !bookmark_read(self, change->row, &change->number))
        return error_set(err, ERR_BOOKMARK, "row %llu of the buffers has no bookmark",
                         (unsigned long long)change->row + 1);
    TRY(cursor_seek(self, change->number, &change->old, &change->logical, err));
    if (change->old) return TRIB_OK;
    const ChangedRow *changed = changed_find(&self->cursor.changed, change->number);
    if (changed) return error_set(err, ERR_CURSOR_POSITION, "the row has been deleted");
    return error_set(err, change->bulk ? ERR_BOOKMARK : ERR_CURSOR_POSITION,
                     "the cursor has no row %llu", (unsigned long long)change->number);
}

/* Nobody has it any more as the cursor knows it. */
static void row_conflict(Stmt *self, int64_t rows) {
    const RowChange *change = &self->change;
    Error err;
    (void)error_set(&err, ERR_CURSOR_CONFLICT,
                    "%lld rows were changed: the row has been changed or deleted since it was read",
                    (long long)rows);
    diag_row(&self->base, &err, false, (SQLLEN)change->row + 1, SQL_NO_COLUMN_NUMBER);
    change_status(change, change->row, SQL_ROW_ERROR);
}

/* The change has been made: what goes wrong now is a warning, and the cursor goes on with the row as it was. */
static void row_unseen(Stmt *self, const Error *err) {
    diag_row(&self->base, err, false, (SQLLEN)self->change.row + 1, SQL_NO_COLUMN_NUMBER);
    self->change.step = ROW_READ;
}

/* SQL_FETCH_BY_BOOKMARK: as the cursor has the row. */
static Status row_read(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    change->step = ROW_READ;
    Status status = row_find(self, err);
    if (status != TRIB_OK) {
        if (!changed_find(&self->cursor.changed, change->number) || err->status == TRIB_MEMORY)
            return status;
        change_status(change, change->row, SQL_ROW_DELETED);
        return TRIB_OK;
    }
    SQLULEN failed = self->fetch.failed;
    if (cursor_fill(self, change->old, change->logical, change->row) != SQL_SUCCESS)
        return error_set(err, ERR_TYPE_ATTRIBUTE, "the row could not be put into the buffers");
    bool bad = self->fetch.failed > failed;
    change->failed += bad;
    change_status(change, change->row, bad ? SQL_ROW_ERROR : SQL_ROW_SUCCESS);
    return TRIB_OK;
}

/* What others made of the row meanwhile; one that has been deleted stays so. */
static Status row_refresh(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    change->number = self->cursor.rowset_start + change->row;
    change->ncolumns = 0; /* none is written: the key is the one that it had */
    change->step = ROW_READ;
    if (!cursor_locate(&self->cursor, change->row, &change->old, &change->logical)) return TRIB_OK;
    change->step = ROW_REREAD;
    return change_key(self, err);
}

static Status row_begin(Stmt *self, Error *err) {
    RowChange *change = &self->change;
    change->tried++;
    change->old = NULL;
    if (change->kind == CHANGE_FETCH) return row_read(self, err);
    if (change->kind == CHANGE_REFRESH) return row_refresh(self, err);
    TRY(row_find(self, err));
    TRY(change_columns(self, err));
    return change_prepare_start(self, err);
}

static Status row_send(Stmt *self, SQLINTEGER *column, Error *err) {
    RowChange *change = &self->change;
    Statement *engine = atomic_load(&change->engine);
    change->step = ROW_WRITING;
    TRY(change_bind_given(self, engine, column, err));
    TRY(change_bind_condition(self, engine, change->arena, change->old, change->logical,
                              change->ncolumns, err));
    if (change->kind == CHANGE_UPDATE) TRY(change_key(self, err));
    return statement_execute_start(engine, err);
}

static void row_written(Stmt *self) {
    RowChange *change = &self->change;
    int64_t rows = statement_row_count(atomic_load(&change->engine));
    bool deleted = change->kind == CHANGE_DELETE;
    Error err;
    self->row_count += rows;
    change->step = ROW_READ;
    if (rows != 1) {
        row_conflict(self, rows);
        return;
    }
    change_status(change, change->row, deleted ? SQL_ROW_DELETED : SQL_ROW_UPDATED);
    if (!deleted)
        change->step = ROW_REREAD;
    else if (change_show(self, change->number, NULL, &err) != TRIB_OK)
        row_unseen(self, &err);
}

static SQLRETURN row_step(Stmt *self, SQLINTEGER *column, Error *err) {
    RowChange *change = &self->change;
    SQLRETURN result;
    switch (change->step) {
    case ROW_NEXT: return row_begin(self, err) == TRIB_OK ? SQL_SUCCESS : SQL_ERROR;
    case ROW_PREPARING:
        result = change_prepare_end(self, err);
        if (result != SQL_SUCCESS) return result;
        return row_send(self, column, err) == TRIB_OK ? SQL_SUCCESS : SQL_ERROR;
    case ROW_WRITING:
        result = change_wait(self, atomic_load(&change->engine), err);
        if (result == SQL_SUCCESS) row_written(self);
        if (result == SQL_ERROR) *column = change_failed_column(self);
        return result;
    default:
        result = change_read_again(self, err);
        if (result != SQL_ERROR || change->kind == CHANGE_REFRESH) return result;
        row_unseen(self, err);
        return SQL_SUCCESS;
    }
}

bool change_ends_call(const Error *err) {
    return err->status == TRIB_CANCELLED || err->status == TRIB_TIMEOUT ||
           err->status == TRIB_LOST || err->status == TRIB_MEMORY;
}

void change_post(Stmt *self, SQLLEN number, SQLINTEGER column, const Error *err) {
    Error own = *err;
    own.line = own.column = 0; /* in a statement that the application has not written */
    diag_row(&self->base, &own, true, number, column);
}

void change_row_failed(Stmt *self, SQLULEN row, SQLINTEGER column, const Error *err) {
    self->change.failed++;
    change_status(&self->change, row, SQL_ROW_ERROR);
    change_post(self, (SQLLEN)row + 1, column, err);
}

static SQLRETURN row_run(Stmt *self) {
    RowChange *change = &self->change;
    SQLINTEGER column = SQL_NO_COLUMN_NUMBER;
    SQLRETURN result;
    Error err;
    do result = row_step(self, &column, &err);
    while (result == SQL_SUCCESS && change->step != ROW_READ);
    if (result == SQL_STILL_EXECUTING) return result;
    if (result == SQL_ERROR) {
        change_row_failed(self, change->row, column, &err);
        if (!change_ends_call(&err)) result = SQL_SUCCESS;
    } else if (change->kind == CHANGE_REFRESH) {
        const ChangedRow *changed = changed_find(&self->cursor.changed, change->number);
        bool gone = changed && !changed->batch;
        change_status(change, change->row, gone ? SQL_ROW_DELETED : SQL_ROW_SUCCESS);
    }
    arena_reset(change->arena);
    change->row++;
    change->step = ROW_NEXT;
    return result;
}

/* ---------------------------------------------------------------- all rows of a call */

static SQLRETURN change_finish(Stmt *self) {
    const RowChange *change = &self->change;
    SQLULEN *processed = self->ird->rows_processed;
    bool refreshed = change->kind == CHANGE_REFRESH;
    if (processed && (change->bulk || (refreshed && change->several)) &&
        self->state != STMT_EXTENDED)
        *processed = change->tried;
    if (refreshed && change->failed < change->tried &&
        cursor_refill(self, change->several ? 0 : change->end) != SQL_SUCCESS)
        return SQL_ERROR;
    if (change->failed == 0) return SQL_SUCCESS;
    if (change->failed == change->tried) return SQL_ERROR;
    diag_warning(&self->base, ERR_ROW_ERROR, "%llu of %llu rows failed",
                 (unsigned long long)change->failed, (unsigned long long)change->tried);
    return SQL_SUCCESS;
}

bool change_ignores(const Stmt *self, SQLULEN row) {
    const RowChange *change = &self->change;
    const SQLUSMALLINT *operation = self->ard->array_status;
    return change->several && !change->bulk && operation && operation[row] == SQL_ROW_IGNORE;
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
    for (;;) {
        if (change->step == ROW_NEXT) {
            while (change->row < change->end && change_ignores(self, change->row)) change->row++;
            if (change->row >= change->end) return change_finish(self);
            if (row_waits(self)) return SQL_NEED_DATA;
        }
        SQLRETURN result = change->kind == CHANGE_ADD ? adds_run(self) : row_run(self);
        if (result != SQL_SUCCESS) return result;
    }
}

SQLRETURN change_run(Stmt *self) {
    Desc *ard = self->ard;
    bool locked = !ard->automatic && handle_lock(ard->base.id, SQL_HANDLE_DESC);
    SQLRETURN result = rows_run(self);
    if (locked) handle_unlock(&ard->base);
    if (result == SQL_NEED_DATA || result == SQL_STILL_EXECUTING) return result;
    self->base.diag.row_count = self->row_count;
    adds_drop(self);
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
    arena_reset(change->arena); /* a call before may have been given up */
    change->kind = kind;
    change->bulk = bulk;
    change->several = row == 0;
    change->polled = self->options.async_enable == SQL_ASYNC_ENABLE_ON;
    change->step = ROW_NEXT;
    change->row = row ? row - 1 : 0;
    change->end = row ? row : rows;
    change->failed = change->tried = 0;
    change->status = status_array(self);
    self->slot = (CallSlot){.rows = true, .resume = change_run};
    cursor_settle(self);
    if (kind != CHANGE_FETCH && kind != CHANGE_REFRESH) self->row_count = 0;
    part_reset(&self->cursor.part);
    return change_run(self);
}

/* ---------------------------------------------------------------- SQLSetPos */

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
    if (operation == SQL_REFRESH)
        return change_offered(self, NULL) ? change_begin(self, CHANGE_REFRESH, row, most, false)
                                          : cursor_refill(self, row);
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
