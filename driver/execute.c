/*
 * execute.c - preparing and executing, with sets of parameters and asynchronous polling.
 *
 * An execution is a small machine of steps whose state stands in the statement's CallSlot. A step that
 * waits for the engine either blocks or, asynchronously, returns SQL_STILL_EXECUTING; the next call of
 * the same function continues there. One that waits for the application's data returns SQL_NEED_DATA;
 * SQLParamData continues (putdata.c).
 *
 * What comes after the preparation depends on the statement:
 *   one set after the other   STEP_SET, STEP_EXECUTING, for each: UPDATE, DELETE, one set of a query
 *   arrays in one go          STEP_CHUNK, STEP_RANGE, STEP_STORING: INSERT of one row (sets.c)
 *   a result for each set     STEP_COLLECT of all, then STEP_RESULT, STEP_OPENING of one; SQLMoreResults
 *                             goes on to the next (sets.c)
 */
#include "driver/execute.h"

/* ---- waiting */

SQLRETURN stmt_wait(Stmt *self, Error *err) {
    bool done = true;
    int64_t timeout = self->options.async_enable == SQL_ASYNC_ENABLE_ON ? 0 : -1;
    Status status = statement_wait(atomic_load(&self->engine), timeout, &done, err);
    if (status != TRIB_OK) return SQL_ERROR;
    return done ? SQL_SUCCESS : SQL_STILL_EXECUTING;
}

void stmt_suspend(Stmt *self, ApiId api) {
    self->slot.api = api;
    if (self->state != STMT_EXECUTING) self->state_before = self->state;
    self->state = STMT_EXECUTING;
}

SQLRETURN stmt_resume(Stmt *self) {
    self->state = self->state_before;
    self->slot.api = API_NONE;
    return self->slot.resume(self);
}

/* ---- preparing */

static SQLRETURN prepare_begin(Stmt *self, Str sql) {
    Error err;
    stmt_forget(self);
    if (!sql.data)
        return diag_error(&self->base, ERR_NULL_POINTER, "the statement is a NULL pointer");
    Statement *engine = stmt_engine(self);
    if (!engine) return SQL_ERROR;
    if (positioned_prepare(self, &sql, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    statement_set_scrollable(engine, self->options.cursor_type != SQL_CURSOR_FORWARD_ONLY);
    statement_set_updatable(engine, self->options.concurrency != SQL_CONCUR_READ_ONLY);
    Status status = self->slot.direct ? statement_direct_start(engine, sql, &err)
                                      : statement_prepare_start(engine, sql, &err);
    return status == TRIB_OK ? SQL_SUCCESS : diag_engine(&self->base, &err);
}

static SQLRETURN prepare_end(Stmt *self) {
    Error err;
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_ERROR) return diag_engine(&self->base, &err);
    if (result == SQL_SUCCESS) {
        self->has_result = statement_column_count(atomic_load(&self->engine)) > 0;
        self->cursor.plan_valid = false;
    }
    return result;
}

static SQLRETURN prepare_run(Stmt *self) {
    SQLRETURN result = prepare_end(self);
    if (result != SQL_SUCCESS) return result;
    self->prepared = true;
    self->state = self->has_result ? STMT_PREPARED_CURSOR : STMT_PREPARED;
    return SQL_SUCCESS;
}

SQLRETURN stmt_prepare(Stmt *self, Str sql) {
    self->slot = (CallSlot){.resume = prepare_run};
    if (prepare_begin(self, sql) != SQL_SUCCESS) return SQL_ERROR;
    return prepare_run(self);
}

/* ---- executing */

typedef struct FunctionRow {
    const char *name;
    SQLINTEGER code;
    bool changes_rows;
} FunctionRow;

enum { FUNCTION_COMMIT = 11, FUNCTION_ROLLBACK = 62, FUNCTION_MERGE = 128 };

/* SQL_DIAG_DYNAMIC_FUNCTION and its codes; ISO's where ODBC has none. */
static const FunctionRow function_rows[] = {
    {"", SQL_DIAG_UNKNOWN_STATEMENT, false},
    {"SELECT CURSOR", SQL_DIAG_SELECT_CURSOR, false},
    {"INSERT", SQL_DIAG_INSERT, true},
    {"UPDATE WHERE", SQL_DIAG_UPDATE_WHERE, true},
    {"DELETE WHERE", SQL_DIAG_DELETE_WHERE, true},
    {"MERGE", FUNCTION_MERGE, true},
    {"COMMIT WORK", FUNCTION_COMMIT, false},
    {"ROLLBACK WORK", FUNCTION_ROLLBACK, false},
    {"DYNAMIC UPDATE CURSOR", SQL_DIAG_DYNAMIC_UPDATE_CURSOR, true},
    {"DYNAMIC DELETE CURSOR", SQL_DIAG_DYNAMIC_DELETE_CURSOR, true},
    {"CREATE TABLE", SQL_DIAG_CREATE_TABLE, false},
    {"DROP TABLE", SQL_DIAG_DROP_TABLE, false},
    {"ALTER TABLE", SQL_DIAG_ALTER_TABLE, false},
    {"CREATE SCHEMA", SQL_DIAG_CREATE_SCHEMA, false},
    {"DROP SCHEMA", SQL_DIAG_DROP_SCHEMA, false},
    {"CREATE VIEW", SQL_DIAG_CREATE_VIEW, false},
    {"DROP VIEW", SQL_DIAG_DROP_VIEW, false},
};

/* Posts what was executed. */
static const FunctionRow *function_tell(Stmt *self) {
    const char *name = statement_function(atomic_load(&self->engine));
    if (self->positioned.is_on)
        name = name[0] == 'U' ? "DYNAMIC UPDATE CURSOR" : "DYNAMIC DELETE CURSOR";
    const FunctionRow *row = &function_rows[0];
    for (size_t i = 1; i < COUNT_OF(function_rows); i++)
        if (strcmp(function_rows[i].name, name) == 0) row = &function_rows[i];
    self->base.diag.function_code = row->code;
    self->base.diag.function_name = row->name;
    return row;
}

void set_status(Stmt *self, SQLULEN row, SQLUSMALLINT status) {
    if (self->ipd->array_status) self->ipd->array_status[row] = status;
}

void set_succeeded(Stmt *self, SQLULEN row) {
    SQLUSMALLINT *status = self->ipd->array_status;
    if (status && status[row] != SQL_PARAM_SUCCESS_WITH_INFO) status[row] = SQL_PARAM_SUCCESS;
}

bool set_ignored(Stmt *self, SQLULEN row) {
    const SQLUSMALLINT *operation = self->apd->array_status;
    if (!operation || operation[row] != SQL_PARAM_IGNORE) return false;
    self->slot.ignored++;
    return true;
}

SQLULEN sets_count(const Stmt *self) {
    return stmt_parameter_count(self) ? self->apd->array_size : 1;
}

SQLRETURN sets_abandoned(Stmt *self, const Error *err, SQLULEN row) {
    SQLULEN sets = self->apd->array_size;
    for (SQLULEN after = row + 1; after < sets; after++) set_status(self, after, SQL_PARAM_UNUSED);
    diag_row(&self->base, err, true, (SQLLEN)row + 1, SQL_NO_COLUMN_NUMBER);
    return SQL_ERROR;
}

SQLRETURN set_failed(Stmt *self, const Error *err, SQLULEN row, SQLINTEGER index) {
    CallSlot *slot = &self->slot;
    SQLULEN sets = sets_count(self);
    set_status(self, row, SQL_PARAM_ERROR);
    slot->failed++;
    if (sets == 1 && index == 0) return diag_engine(&self->base, err);
    if (err->status == TRIB_CANCELLED || err->status == TRIB_TIMEOUT)
        return sets_abandoned(self, err, row);
    diag_row(&self->base, err, true, (SQLLEN)row + 1, index ? index : SQL_NO_COLUMN_NUMBER);
    return sets == 1 ? SQL_ERROR : SQL_SUCCESS;
}

SQLRETURN set_refused(Stmt *self, const Error *err, SQLULEN row) {
    uint32_t parameter = statement_failed_parameter(atomic_load(&self->engine));
    if (parameter == 0 || sets_count(self) > 1)
        return set_failed(self, err, row, (SQLINTEGER)parameter);
    set_status(self, row, SQL_PARAM_ERROR);
    self->slot.failed++;
    diag_row(&self->base, err, true, SQL_NO_ROW_NUMBER, (SQLINTEGER)parameter);
    return SQL_ERROR;
}

SQLRETURN cursor_opened(Stmt *self) {
    cursor_reset(&self->cursor);
    self->cursor.open = true;
    self->cursor.scrollable = self->options.cursor_type != SQL_CURSOR_FORWARD_ONLY;
    self->cursor.plan_valid = false;
    self->has_result = true;
    self->row_count = self->base.diag.row_count = -1;
    self->state = STMT_CURSOR;
    (void)function_tell(self);
    const char *reason;
    if (self->options.concurrency != SQL_CONCUR_READ_ONLY && !change_offered(self, &reason))
        diag_warning(&self->base, ERR_OPTION_CHANGED,
                     "the cursor is read-only (SQL_ATTR_CONCURRENCY): %s", reason);
    return SQL_SUCCESS;
}

static SQLRETURN execution_finish(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    StatementKind kind = statement_kind(engine);
    if (slot->failed && slot->failed + slot->ignored == sets_count(self)) return SQL_ERROR;
    /* Who gave no array for the statuses could not tell a row that is missing from a warning. */
    bool unseen = slot->failed && kind != STATEMENT_QUERY && !self->ipd->array_status;
    if (slot->failed) self->base.diag.warned = true;
    stmt_drop_puts(self);
    sets_drop(self);
    if (kind == STATEMENT_QUERY) return cursor_opened(self);
    const FunctionRow *function = function_tell(self);
    if (function->code == FUNCTION_COMMIT || function->code == FUNCTION_ROLLBACK)
        dbc_transaction_ended(self->dbc, function->code == FUNCTION_COMMIT);
    self->has_result = statement_column_count(engine) > 0;
    self->row_count = self->base.diag.row_count = slot->total;
    self->state = STMT_EXECUTED;
    /* The specification: a change that finds no row is SQL_NO_DATA, from version 3 on. */
    bool nothing = function->changes_rows && slot->total == 0 && !self->base.diag.warned;
    if (unseen) return SQL_ERROR;
    return nothing && !stmt_odbc2(self) ? SQL_NO_DATA : SQL_SUCCESS;
}

/* ---- one set after the other */

/* Sends the next set that is not to be ignored; step and row say where the machine stands. */
static SQLRETURN set_begin(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    Error err;
    SQLINTEGER index = 0;
    if (self->ipd->rows_processed) *self->ipd->rows_processed = slot->row + 1;
    set_status(self, slot->row, SQL_PARAM_UNUSED);
    if (set_ignored(self, slot->row)) {
        slot->row++;
        return SQL_SUCCESS;
    }
    Status status = params_send(self, slot->row, &err, &index);
    if (status == TRIB_OK) {
        index = 0;
        status = statement_execute_start(engine, &err);
    }
    if (status == TRIB_OK) {
        slot->step = STEP_EXECUTING;
        return SQL_SUCCESS;
    }
    return set_failed(self, &err, slot->row++, index);
}

static SQLRETURN set_end(Stmt *self) {
    CallSlot *slot = &self->slot;
    Error err;
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    if (result == SQL_ERROR) {
        result = set_refused(self, &err, slot->row);
    } else {
        int64_t rows = statement_row_count(atomic_load(&self->engine));
        if (rows > 0) slot->total += rows;
        positioned_done(self, slot->row, rows);
        set_succeeded(self, slot->row);
    }
    slot->row++;
    slot->step = STEP_SET;
    return result;
}

/* ---- the machine */

static SQLRETURN execution_begin(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    slot->step = STEP_SET;
    if (stmt_parameter_count(self) == 0) return SQL_SUCCESS;
    slot->waits = params_wait(self, self->apd->array_size);
    if (statement_takes_sets(engine))
        slot->step = STEP_CHUNK;
    else if (statement_kind(engine) == STATEMENT_QUERY && self->apd->array_size > 1)
        slot->step = STEP_COLLECT;
    return SQL_SUCCESS;
}

/* Asks for the data of the next set if it is given at execution and is not there yet. */
static bool data_missing(Stmt *self) {
    CallSlot *slot = &self->slot;
    const SQLUSMALLINT *operation = self->apd->array_status;
    if (!slot->waits || slot->given_row > slot->row) return false;
    if (operation && operation[slot->row] == SQL_PARAM_IGNORE) return false;
    uint32_t index = params_next_at_execution(self, slot->row, 0);
    if (index == UINT32_MAX) return false;
    slot->param = index;
    self->state_before = slot->direct       ? STMT_ALLOCATED
                         : self->has_result ? STMT_PREPARED_CURSOR
                                            : STMT_PREPARED;
    self->state = STMT_NEED_DATA;
    return true;
}

/* The step before a set is read from the application. */
static SQLRETURN execution_next_set(Stmt *self, bool *finished) {
    CallSlot *slot = &self->slot;
    if (slot->row >= sets_count(self)) {
        if (slot->step == STEP_COLLECT) {
            slot->step = STEP_RESULT;
            return SQL_SUCCESS;
        }
        *finished = true;
        return execution_finish(self);
    }
    if (data_missing(self)) return SQL_NEED_DATA;
    switch (slot->step) {
    case STEP_CHUNK: return chunk_read(self);
    case STEP_COLLECT: return query_set_read(self);
    default: return set_begin(self);
    }
}

static SQLRETURN execution_step(Stmt *self, bool *finished) {
    CallSlot *slot = &self->slot;
    SQLRETURN result;
    switch (slot->step) {
    case STEP_PREPARING:
        result = prepare_end(self);
        if (result == SQL_SUCCESS) slot->step = STEP_PREPARED;
        return result;
    case STEP_PREPARED: return execution_begin(self);
    case STEP_EXECUTING: return set_end(self);
    case STEP_RANGE: return range_begin(self);
    case STEP_STORING: return range_end(self);
    case STEP_RESULT: return query_set_begin(self);
    case STEP_OPENING: return query_set_end(self, finished);
    default: return execution_next_set(self, finished);
    }
}

SQLRETURN execution_run(Stmt *self) {
    bool finished = false;
    SQLRETURN result = SQL_SUCCESS;
    while (!finished && result == SQL_SUCCESS) result = execution_step(self, &finished);
    if (result == SQL_ERROR) {
        stmt_drop_puts(self);
        if (self->slot.direct)
            stmt_forget(self);
        else
            (void)stmt_close_cursor(self);
    }
    return result;
}

SQLRETURN stmt_execute(Stmt *self) {
    if (self->state >= STMT_EXECUTED)
        (void)stmt_close_cursor(self); /* S4: the last result is gone */
    self->slot = (CallSlot){.resume = execution_run, .step = STEP_PREPARED};
    if (!stmt_engine(self)) return SQL_ERROR;
    return execution_run(self);
}

SQLRETURN stmt_execute_direct(Stmt *self, Str sql) {
    self->slot = (CallSlot){.resume = execution_run, .step = STEP_PREPARING, .direct = true};
    if (prepare_begin(self, sql) != SQL_SUCCESS) return SQL_ERROR;
    return execution_run(self);
}

SQLRETURN stmt_open_rows(Stmt *self, Listing *rows) {
    stmt_forget(self);
    self->cursor.rows = rows;
    self->cursor.open = true;
    self->cursor.scrollable = self->options.cursor_type != SQL_CURSOR_FORWARD_ONLY;
    self->cursor.plan_valid = false;
    self->row_count = (SQLLEN)listing_rows(rows);
    self->state = STMT_CURSOR;
    return SQL_SUCCESS;
}

/* ---- results */

/* The results of a query with an array of parameters follow one another. */
SQLRETURN stmt_more_results(Stmt *self) {
    if (self->state < STMT_EXECUTED) return SQL_NO_DATA;
    if (!sets_left(self)) {
        (void)stmt_close_cursor(self);
        return SQL_NO_DATA;
    }
    CallSlot slot = {.resume = execution_run, .step = STEP_RESULT, .direct = !self->prepared};
    self->slot = slot;
    statement_close(atomic_load(&self->engine));
    cursor_reset(&self->cursor);
    return execution_run(self);
}

SQLRETURN stmt_row_count(Stmt *self, SQLLEN *out) {
    if (!out) return diag_error(&self->base, ERR_NULL_POINTER, "the result is a NULL pointer");
    *out = self->row_count;
    return SQL_SUCCESS;
}
