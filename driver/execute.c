/*
 * execute.c - preparing and executing, with sets of parameters, data at execution, and asynchronous
 * polling.
 *
 * An execution is a small machine of steps (prepare, one set of parameters after the other, finish)
 * whose state stands in the statement's CallSlot. A step that waits for the engine either blocks or,
 * asynchronously, returns SQL_STILL_EXECUTING; the next call of the same function continues there.
 */
#include "driver/stmt.h"

enum { STEP_PREPARING, STEP_PREPARED, STEP_SET, STEP_EXECUTING };

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
    statement_set_scrollable(engine, self->options.cursor_type != SQL_CURSOR_FORWARD_ONLY);
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

static void function_code(Stmt *self, StatementKind kind) {
    bool query = kind == STATEMENT_QUERY;
    self->base.diag.function_code = query ? SQL_DIAG_SELECT_CURSOR : SQL_DIAG_UNKNOWN_STATEMENT;
    self->base.diag.function_name = query ? "SELECT CURSOR" : "";
}

static void set_status(Stmt *self, SQLULEN row, SQLUSMALLINT status) {
    if (self->ipd->array_status) self->ipd->array_status[row] = status;
}

/* Cancelled or out of time: that is the call's end, not one set's. */
static SQLRETURN sets_abandoned(Stmt *self, const Error *err) {
    SQLULEN sets = self->apd->array_size;
    for (SQLULEN row = self->slot.row + 1; row < sets; row++)
        set_status(self, row, SQL_PARAM_UNUSED);
    diag_row(&self->base, err, true, (SQLLEN)self->slot.row + 1, SQL_NO_COLUMN_NUMBER);
    return SQL_ERROR;
}

/* A set of parameters failed: with only one, the execution has. */
static SQLRETURN set_failed(Stmt *self, const Error *err, SQLINTEGER index) {
    CallSlot *slot = &self->slot;
    SQLULEN sets = self->apd->array_size;
    set_status(self, slot->row, SQL_PARAM_ERROR);
    if (sets == 1 && index == 0) return diag_engine(&self->base, err);
    if (err->status == TRIB_CANCELLED || err->status == TRIB_TIMEOUT)
        return sets_abandoned(self, err);
    diag_row(&self->base, err, true, (SQLLEN)slot->row + 1, index ? index : SQL_NO_COLUMN_NUMBER);
    slot->failed++;
    return sets == 1 ? SQL_ERROR : SQL_SUCCESS;
}

static SQLRETURN execution_finish(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    StatementKind kind = statement_kind(engine);
    SQLULEN sets = self->apd->array_size;
    if (statement_parameter_count(engine) > 0 && slot->failed == sets) return SQL_ERROR;
    if (slot->failed) self->base.diag.warned = true;
    stmt_drop_puts(self);
    function_code(self, kind);
    self->has_result = statement_column_count(engine) > 0;
    if (kind == STATEMENT_QUERY) {
        cursor_reset(&self->cursor);
        self->cursor.open = true;
        self->cursor.scrollable = self->options.cursor_type != SQL_CURSOR_FORWARD_ONLY;
        self->row_count = -1;
        self->state = STMT_CURSOR;
    } else {
        self->row_count = slot->total;
        self->state = STMT_EXECUTED;
    }
    self->base.diag.row_count = self->row_count;
    return SQL_SUCCESS;
}

/* Sends the next set that is not to be ignored; step and row say where the machine stands. */
static SQLRETURN set_begin(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    Error err;
    SQLINTEGER index = 0;
    const SQLUSMALLINT *operation = self->apd->array_status;
    if (self->ipd->rows_processed) *self->ipd->rows_processed = slot->row + 1;
    if (operation && operation[slot->row] == SQL_PARAM_IGNORE) {
        set_status(self, slot->row++, SQL_PARAM_UNUSED);
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
    SQLRETURN result = set_failed(self, &err, index);
    slot->row++;
    return result;
}

static SQLRETURN set_end(Stmt *self) {
    CallSlot *slot = &self->slot;
    Error err;
    SQLRETURN result = stmt_wait(self, &err);
    if (result == SQL_STILL_EXECUTING) return result;
    if (result == SQL_ERROR) {
        result = set_failed(self, &err, 0);
    } else {
        int64_t rows = statement_row_count(atomic_load(&self->engine));
        if (rows > 0) slot->total += rows;
        set_status(self, slot->row, SQL_PARAM_SUCCESS);
    }
    slot->row++;
    slot->step = STEP_SET;
    return result;
}

/* Before the first set: data at execution, arrays with queries. */
static SQLRETURN execution_begin(Stmt *self) {
    CallSlot *slot = &self->slot;
    Statement *engine = atomic_load(&self->engine);
    SQLULEN sets = self->apd->array_size;
    if (statement_parameter_count(engine) == 0) return SQL_SUCCESS;
    if (sets > 1 && statement_kind(engine) == STATEMENT_QUERY)
        return diag_error(&self->base, ERR_UNSUPPORTED,
                          "a query takes one set of parameters at a time");
    for (SQLULEN row = 0; row < sets; row++) {
        uint32_t index = params_next_at_execution(self, row, 0);
        if (index == UINT32_MAX) continue;
        if (sets > 1)
            return diag_error(&self->base, ERR_UNSUPPORTED,
                              "data at execution takes one set of parameters");
        slot->param = index;
        self->state_before = slot->direct ? STMT_ALLOCATED : self->state;
        self->state = STMT_NEED_DATA;
        return SQL_NEED_DATA;
    }
    return SQL_SUCCESS;
}

static SQLRETURN execution_step(Stmt *self, bool *finished) {
    CallSlot *slot = &self->slot;
    SQLRETURN result;
    *finished = false;
    switch (slot->step) {
    case STEP_PREPARING:
        result = prepare_end(self);
        if (result == SQL_SUCCESS) slot->step = STEP_PREPARED;
        return result;
    case STEP_PREPARED: slot->step = STEP_SET; return execution_begin(self);
    case STEP_SET: {
        SQLULEN sets =
            statement_parameter_count(atomic_load(&self->engine)) ? self->apd->array_size : 1;
        *finished = slot->row >= sets;
        return *finished ? execution_finish(self) : set_begin(self);
    }
    default: return set_end(self);
    }
}

static SQLRETURN execution_run(Stmt *self) {
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

/* ---- data at execution */

void stmt_drop_puts(Stmt *self) {
    for (uint32_t i = 0; i < self->nputs; i++) buf_clear(&self->puts[i].data);
    self->puts = NULL;
    self->nputs = 0;
    if (self->execution) arena_reset(self->execution);
}

static bool puts_make(Stmt *self) {
    uint32_t count = statement_parameter_count(atomic_load(&self->engine));
    Error err;
    SettingValue limit;
    if (self->nputs == count) return true;
    if (!self->execution && !(self->execution = arena_new(NULL))) return false;
    if (!(self->puts = ARENA_ARRAY(self->execution, PutValue, count))) return false;
    self->nputs = count;
    size_t max = (size_t)64 << 20;
    if (session_get(self->dbc->session, SETTING_MAX_VALUE_SIZE, &limit, &err) == TRIB_OK &&
        limit.integer > 0)
        max = (size_t)limit.integer * 2; /* UTF-16 takes up to twice the bytes of the value */
    for (uint32_t i = 0; i < count; i++) buf_init(&self->puts[i].data, NULL, max);
    return true;
}

SQLRETURN stmt_param_data(Stmt *self, SQLPOINTER *token) {
    CallSlot *slot = &self->slot;
    if (self->state == STMT_NEED_DATA) {
        if (!puts_make(self)) return diag_no_memory(&self->base);
    } else {
        uint32_t next = params_next_at_execution(self, slot->row, slot->param + 1);
        if (next == UINT32_MAX) { /* all is there */
            self->state = self->state_before;
            slot->resume = execution_run;
            slot->step = STEP_SET;
            return execution_run(self);
        }
        slot->param = next;
    }
    if (token) *token = params_token(self, slot->row, slot->param);
    self->state = STMT_MUST_PUT;
    return SQL_NEED_DATA;
}

/* Bytes of a piece; -1: the length is wrong. */
static SQLLEN piece_length(SQLSMALLINT ctype, const void *data, SQLLEN length) {
    size_t size = ctype_size(ctype);
    if (size) return (SQLLEN)size;
    if (length != SQL_NTS) return length < 0 ? -1 : length;
    if (ctype == SQL_C_CHAR) return (SQLLEN)strlen(data);
    return ctype == SQL_C_WCHAR ? (SQLLEN)wide_length(data) * 2 : -1;
}

SQLRETURN stmt_put_data(Stmt *self, SQLPOINTER data, SQLLEN length) {
    PutValue *put = &self->puts[self->slot.param];
    SQLSMALLINT ctype = params_ctype(self, self->slot.param);
    Error err;
    if (put->given && (put->is_null || length == SQL_NULL_DATA))
        return diag_error(&self->base, ERR_CONCATENATE_NULL, "a NULL comes in one piece");
    if (put->given && ctype_size(ctype))
        return diag_error(&self->base, ERR_PIECES, "a value of fixed size comes in one piece");
    if (length == SQL_NULL_DATA) {
        put->is_null = true;
    } else if (!data && length != 0) {
        return diag_error(&self->base, ERR_NULL_POINTER, "the data is a NULL pointer");
    } else {
        SQLLEN bytes = data ? piece_length(ctype, data, length) : 0;
        if (bytes < 0)
            return diag_error(&self->base, ERR_STRING_LENGTH, "%lld is no length",
                              (long long)length);
        buf_add(&put->data, data, (size_t)bytes);
        if (buf_status(&put->data, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    }
    put->given = true;
    self->state = STMT_CAN_PUT;
    return SQL_SUCCESS;
}

/* ---- results */

SQLRETURN stmt_more_results(Stmt *self) {
    if (self->state >= STMT_EXECUTED) (void)stmt_close_cursor(self);
    return SQL_NO_DATA;
}

SQLRETURN stmt_row_count(Stmt *self, SQLLEN *out) {
    if (!out) return diag_error(&self->base, ERR_NULL_POINTER, "the result is a NULL pointer");
    *out = self->row_count;
    return SQL_SUCCESS;
}
