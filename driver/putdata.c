/*
 * putdata.c - data at execution: SQLParamData and SQLPutData, for parameters and for bound columns whose rows
 * are written (change.c).
 *
 * The values of one set of parameters are collected in buffers, charged to the budget of the process,
 * until SQLParamData finds that all are there; then the set is carried out, and what was collected for it
 * is dropped before the next set asks. Threads: under the statement's lock.
 */
#include "driver/execute.h"

void stmt_drop_puts(Stmt *self) {
    for (uint32_t i = 0; i < self->nputs; i++) buf_clear(&self->puts[i].data);
    if (self->put_grant.budget) grant_clear(&self->put_grant);
    self->put_grant = (Grant){0};
    self->puts = NULL;
    self->nputs = 0;
    if (self->execution) arena_reset(self->execution);
}

static bool puts_make(Stmt *self) {
    uint32_t count = self->slot.rows ? stmt_column_count(self) : stmt_parameter_count(self);
    Error err;
    SettingValue limit;
    stmt_drop_puts(self); /* those of the set before */
    if (!grant_init(&self->put_grant, budget_process(), 0, false)) return false;
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

/* Says whose value is wanted. */
static SQLRETURN puts_ask(Stmt *self, SQLPOINTER *token) {
    const CallSlot *slot = &self->slot;
    if (self->state == STMT_NEED_DATA && !puts_make(self)) return diag_no_memory(&self->base);
    if (token)
        *token = slot->rows ? change_token(self, slot->param)
                            : params_token(self, slot->row, slot->param);
    self->state = STMT_MUST_PUT;
    return SQL_NEED_DATA;
}

/* All values of the set are there: the execution goes on, and may come to another set that waits. The call that is
 * polled is SQLParamData itself. */
static SQLRETURN puts_complete(Stmt *self) {
    SQLPOINTER *token = self->slot.token;
    SQLRETURN result = self->slot.rows ? change_run(self) : execution_run(self);
    return result == SQL_NEED_DATA ? puts_ask(self, token) : result;
}

SQLRETURN stmt_param_data(Stmt *self, SQLPOINTER *token) {
    CallSlot *slot = &self->slot;
    if (self->state != STMT_NEED_DATA) {
        uint32_t next = slot->rows ? change_next_at_execution(self, slot->param + 1)
                                   : params_next_at_execution(self, slot->row, slot->param + 1);
        if (next == UINT32_MAX) {
            slot->given_row = slot->row + 1;
            slot->resume = puts_complete;
            slot->token = token;
            self->state = self->state_before;
            return puts_complete(self);
        }
        slot->param = next;
    }
    return puts_ask(self, token);
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
    SQLSMALLINT ctype = self->slot.rows ? change_ctype(self, self->slot.param)
                                        : params_ctype(self, self->slot.param);
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
        if (!grant_try(&self->put_grant, bytes))
            return diag_error(&self->base, ERR_OUT_OF_MEMORY,
                              "the value of %s %u does not fit into the memory of the process "
                              "(ProcessMemoryLimit)",
                              self->slot.rows ? "column" : "parameter", self->slot.param + 1);
        buf_add(&put->data, data, (size_t)bytes);
        if (buf_status(&put->data, &err) != TRIB_OK) return diag_engine(&self->base, &err);
    }
    put->given = true;
    self->state = STMT_CAN_PUT;
    return SQL_SUCCESS;
}
