/*
 * diag_get.c - SQLGetDiagRec and SQLGetDiagField. They post nothing and drop nothing.
 *
 * A handle that a parent process made answers with one fixed record: its lock may be held for ever.
 */
#include "driver/diag_get.h"

#include "driver/dbc.h"
#include "driver/desc.h"
#include "driver/stmt.h"

static bool handle_odbc2(const Handle *handle) {
    switch (handle->kind) {
    case SQL_HANDLE_ENV: return env_odbc2((const Env *)handle);
    case SQL_HANDLE_DBC: return dbc_odbc2((const Dbc *)handle);
    case SQL_HANDLE_STMT: return stmt_odbc2((const Stmt *)handle);
    default: return dbc_odbc2(((const Desc *)handle)->dbc);
    }
}

static const DiagRecord foreign_record = {
    .sqlstate = "08S01",
    .row = SQL_NO_ROW_NUMBER,
    .column = SQL_NO_COLUMN_NUMBER,
    .message = "[Tributary][ODBC] the handle belongs to the parent of this process: connect anew "
               "after fork()",
    .server = "",
};

static const DiagRecord memory_record = {
    .sqlstate = "HY001",
    .row = SQL_NO_ROW_NUMBER,
    .column = SQL_NO_COLUMN_NUMBER,
    .message = "[Tributary][ODBC] out of memory",
    .server = "",
};

static uint32_t record_count(const Diag *diag) {
    return diag->count + (diag->lost ? 1 : 0);
}

static const DiagRecord *record_at(const Diag *diag, uint32_t index) {
    return index < diag->count ? diag->records[index] : &memory_record;
}

static SQLRETURN record_out(const DiagRecord *record, bool odbc2, const TextOut *state,
                            SQLINTEGER *native, const TextOut *message) {
    char spelled[6];
    diag_state(record->sqlstate, odbc2, spelled);
    (void)text_out(state, (Str){spelled, 5});
    if (native) *native = record->native;
    return text_out(message, str_from(record->message)) ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
}

SQLRETURN diag_get_record(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number,
                          const TextOut *state, SQLINTEGER *native, const TextOut *message) {
    Call call;
    if (kind < SQL_HANDLE_ENV || kind > SQL_HANDLE_DESC) return SQL_INVALID_HANDLE;
    if (handle_foreign(handle, kind)) {
        if (number != 1) return number < 1 ? SQL_ERROR : SQL_NO_DATA;
        return record_out(&foreign_record, false, state, native, message);
    }
    if (!call_enter(&call, API_SQLGetDiagRec, kind, handle)) return call.result;
    const Diag *diag = &call.handle->diag;
    SQLRETURN result;
    if (number < 1 || message->capacity < 0)
        result = SQL_ERROR;
    else if ((uint32_t)number > record_count(diag))
        result = SQL_NO_DATA;
    else
        result = record_out(record_at(diag, (uint32_t)number - 1), handle_odbc2(call.handle), state,
                            native, message);
    return call_leave(&call, result);
}

/* ---- fields */

static SQLRETURN put_long(SQLPOINTER value, SQLLEN number) {
    if (value) memcpy(value, &number, sizeof number);
    return SQL_SUCCESS;
}

static SQLRETURN put_integer(SQLPOINTER value, SQLINTEGER number) {
    if (value) memcpy(value, &number, sizeof number);
    return SQL_SUCCESS;
}

static SQLRETURN put_text(const TextOut *out, const char *text) {
    if (out->capacity < 0) return SQL_ERROR;
    return text_out(out, str_from(text)) ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
}

static SQLRETURN header_field(const Handle *handle, SQLSMALLINT field, SQLPOINTER value,
                              const TextOut *text, bool *known) {
    const Diag *diag = &handle->diag;
    bool statement = handle->kind == SQL_HANDLE_STMT;
    *known = true;
    switch (field) {
    case SQL_DIAG_NUMBER: return put_integer(value, (SQLINTEGER)record_count(diag));
    case SQL_DIAG_RETURNCODE:
        if (value) memcpy(value, &diag->return_code, sizeof diag->return_code);
        return SQL_SUCCESS;
    case SQL_DIAG_CURSOR_ROW_COUNT:
        return statement ? put_long(value, diag->cursor_rows) : SQL_ERROR;
    case SQL_DIAG_ROW_COUNT: return statement ? put_long(value, diag->row_count) : SQL_ERROR;
    case SQL_DIAG_DYNAMIC_FUNCTION:
        return statement ? put_text(text, diag->function_name ? diag->function_name : "")
                         : SQL_ERROR;
    case SQL_DIAG_DYNAMIC_FUNCTION_CODE:
        return statement ? put_integer(value, diag->function_code) : SQL_ERROR;
    default: *known = false; return SQL_ERROR;
    }
}

static Str source_name(const Handle *handle) {
    const Dbc *dbc = handle->kind == SQL_HANDLE_DBC    ? (const Dbc *)handle
                     : handle->kind == SQL_HANDLE_STMT ? ((const Stmt *)handle)->dbc
                     : handle->kind == SQL_HANDLE_DESC ? ((const Desc *)handle)->dbc
                                                       : NULL;
    return dbc && dbc->dsn.data ? dbc->dsn : STR("");
}

static SQLRETURN record_field(const Handle *handle, const DiagRecord *record, SQLSMALLINT field,
                              SQLPOINTER value, const TextOut *text) {
    char state[6];
    switch (field) {
    case SQL_DIAG_SQLSTATE:
        diag_state(record->sqlstate, handle && handle_odbc2(handle), state);
        return put_text(text, state);
    case SQL_DIAG_NATIVE: return put_integer(value, record->native);
    case SQL_DIAG_MESSAGE_TEXT: return put_text(text, record->message);
    case SQL_DIAG_ROW_NUMBER: return put_long(value, record->row);
    case SQL_DIAG_COLUMN_NUMBER: return put_integer(value, record->column);
    case SQL_DIAG_CLASS_ORIGIN: return put_text(text, diag_class_origin(record->sqlstate));
    case SQL_DIAG_SUBCLASS_ORIGIN: return put_text(text, diag_subclass_origin(record->sqlstate));
    case SQL_DIAG_CONNECTION_NAME: return put_text(text, "");
    case SQL_DIAG_SERVER_NAME:
        if (!record->server[0] && handle) {
            Str name = source_name(handle);
            if (text->capacity < 0) return SQL_ERROR;
            return text_out(text, name) ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
        }
        return put_text(text, record->server);
    default: return SQL_ERROR;
    }
}

SQLRETURN diag_get_field(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field,
                         SQLPOINTER value, const TextOut *text) {
    Call call;
    bool known;
    if (kind < SQL_HANDLE_ENV || kind > SQL_HANDLE_DESC) return SQL_INVALID_HANDLE;
    if (handle_foreign(handle, kind)) {
        if (field == SQL_DIAG_NUMBER) return put_integer(value, 1);
        return number == 1 ? record_field(NULL, &foreign_record, field, value, text) : SQL_NO_DATA;
    }
    if (!call_enter(&call, API_SQLGetDiagField, kind, handle)) return call.result;
    const Diag *diag = &call.handle->diag;
    SQLRETURN result = header_field(call.handle, field, value, text, &known);
    if (known) return call_leave(&call, result);
    if (number < 1)
        result = SQL_ERROR;
    else if ((uint32_t)number > record_count(diag))
        result = SQL_NO_DATA;
    else
        result =
            record_field(call.handle, record_at(diag, (uint32_t)number - 1), field, value, text);
    return call_leave(&call, result);
}
