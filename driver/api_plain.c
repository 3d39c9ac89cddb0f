/*
 * api_plain.c - exported functions without text, one each.
 */
#include "driver/stmt.h"

#define ENTER(name, kind, handle) \
    Call call;                    \
    if (!call_enter(&call, API_##name, SQL_HANDLE_##kind, handle)) return call.result

/* ---- handles */

SQLRETURN SQL_API SQLAllocHandle(SQLSMALLINT kind, SQLHANDLE parent, SQLHANDLE *out) {
    Call call;
    bool of_env = kind == SQL_HANDLE_DBC;
    if (kind == SQL_HANDLE_ENV) return out ? env_new(out) : SQL_ERROR;
    if (kind < SQL_HANDLE_ENV || kind > SQL_HANDLE_DESC) return SQL_ERROR;
    if (!call_enter(&call, API_SQLAllocHandle, of_env ? SQL_HANDLE_ENV : SQL_HANDLE_DBC, parent))
        return call.result;
    if (!out)
        return call_leave(&call, diag_error(call.handle, ERR_NULL_POINTER,
                                            "the new handle's place is a NULL pointer"));
    *out = SQL_NULL_HANDLE;
    if (of_env) return call_leave(&call, dbc_new(call.env, out));
    if (call.dbc->state != DBC_CONNECTED)
        return call_leave(
            &call, diag_error(call.handle, ERR_CONNECTION_NOT_OPEN, "the connection is not open"));
    return call_leave(&call,
                      kind == SQL_HANDLE_STMT ? stmt_new(call.dbc, out) : desc_new(call.dbc, out));
}

/* Of ODBC 2: managers have it for drivers without, but unixODBC's cursor library calls it unasked in SQLGetData. */
SQLRETURN SQL_API SQLAllocStmt(SQLHDBC dbc, SQLHSTMT *out) {
    ENTER(SQLAllocStmt, DBC, dbc);
    if (!out)
        return call_leave(&call, diag_error(call.handle, ERR_NULL_POINTER,
                                            "the new handle's place is a NULL pointer"));
    *out = SQL_NULL_HSTMT;
    return call_leave(&call, stmt_new(call.dbc, out));
}

static SQLRETURN env_free_handle(SQLHANDLE handle) {
    ENTER(SQLFreeHandle, ENV, handle);
    SQLRETURN result = env_free(call.env);
    return result == SQL_SUCCESS ? call_leave_freed(&call, result) : call_leave(&call, result);
}

SQLRETURN SQL_API SQLFreeHandle(SQLSMALLINT kind, SQLHANDLE handle) {
    switch (kind) {
    case SQL_HANDLE_ENV: return env_free_handle(handle);
    case SQL_HANDLE_DBC: return dbc_free_handle(handle);
    case SQL_HANDLE_STMT: return stmt_free_handle(handle);
    case SQL_HANDLE_DESC: return desc_free_handle(handle);
    default: return SQL_INVALID_HANDLE;
    }
}

SQLRETURN SQL_API SQLSetEnvAttr(SQLHENV env, SQLINTEGER attribute, SQLPOINTER value,
                                SQLINTEGER length) {
    ENTER(SQLSetEnvAttr, ENV, env);
    return call_leave(&call, env_set_attribute(call.env, attribute, value, length));
}

SQLRETURN SQL_API SQLGetEnvAttr(SQLHENV env, SQLINTEGER attribute, SQLPOINTER value,
                                SQLINTEGER capacity, SQLINTEGER *length) {
    ENTER(SQLGetEnvAttr, ENV, env);
    return call_leave(&call, env_get_attribute(call.env, attribute, value, length));
}

SQLRETURN SQL_API SQLDisconnect(SQLHDBC dbc) {
    ENTER(SQLDisconnect, DBC, dbc);
    return call_leave(&call, dbc_disconnect(call.dbc));
}

SQLRETURN SQL_API SQLEndTran(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT completion) {
    Call call;
    if (kind != SQL_HANDLE_ENV && kind != SQL_HANDLE_DBC) return SQL_INVALID_HANDLE;
    if (!call_enter(&call, API_SQLEndTran, kind, handle)) return call.result;
    return call_leave(&call, kind == SQL_HANDLE_ENV ? env_end_transaction(call.env, completion)
                                                    : dbc_end_transaction(call.dbc, completion));
}

SQLRETURN SQL_API SQLGetFunctions(SQLHDBC dbc, SQLUSMALLINT id, SQLUSMALLINT *out) {
    ENTER(SQLGetFunctions, DBC, dbc);
    return call_leave(&call, dbc_functions(call.dbc, id, out));
}

/* ---- cancelling: no lock */

SQLRETURN SQL_API SQLCancel(SQLHSTMT stmt) {
    return stmt_cancel(stmt);
}

SQLRETURN SQL_API SQLCancelHandle(SQLSMALLINT kind, SQLHANDLE handle) {
    if (kind == SQL_HANDLE_STMT) return stmt_cancel(handle);
    if (kind != SQL_HANDLE_DBC) return SQL_INVALID_HANDLE;
    Handle *pinned =
        handle_pin(handle, SQL_HANDLE_DBC); /* connections execute nothing of their own */
    if (!pinned) return handle_foreign(handle, SQL_HANDLE_DBC) ? SQL_ERROR : SQL_INVALID_HANDLE;
    handle_unpin(pinned);
    return SQL_SUCCESS;
}

/* ---- statements */

SQLRETURN SQL_API SQLFreeStmt(SQLHSTMT stmt, SQLUSMALLINT option) {
    if (option == SQL_DROP) return stmt_free_handle(stmt);
    ENTER(SQLFreeStmt, STMT, stmt);
    return call_leave(&call, stmt_free_option(call.stmt, option));
}

SQLRETURN SQL_API SQLCloseCursor(SQLHSTMT stmt) {
    ENTER(SQLCloseCursor, STMT, stmt);
    return call_leave(&call, stmt_close_cursor(call.stmt));
}

SQLRETURN SQL_API SQLExecute(SQLHSTMT stmt) {
    ENTER(SQLExecute, STMT, stmt);
    return call_leave(&call, stmt_execute(call.stmt));
}

SQLRETURN SQL_API SQLMoreResults(SQLHSTMT stmt) {
    ENTER(SQLMoreResults, STMT, stmt);
    return call_leave(&call, stmt_more_results(call.stmt));
}

SQLRETURN SQL_API SQLRowCount(SQLHSTMT stmt, SQLLEN *out) {
    ENTER(SQLRowCount, STMT, stmt);
    return call_leave(&call, stmt_row_count(call.stmt, out));
}

SQLRETURN SQL_API SQLNumResultCols(SQLHSTMT stmt, SQLSMALLINT *out) {
    ENTER(SQLNumResultCols, STMT, stmt);
    return call_leave(&call, stmt_num_result_cols(call.stmt, out));
}

/* ---- parameters */

SQLRETURN SQL_API SQLBindParameter(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT direction,
                                   SQLSMALLINT ctype, SQLSMALLINT sqltype, SQLULEN size,
                                   SQLSMALLINT digits, SQLPOINTER data, SQLLEN capacity,
                                   SQLLEN *indicator) {
    ENTER(SQLBindParameter, STMT, stmt);
    return call_leave(&call, stmt_bind_parameter(call.stmt, number, direction, ctype, sqltype, size,
                                                 digits, data, capacity, indicator));
}

SQLRETURN SQL_API SQLNumParams(SQLHSTMT stmt, SQLSMALLINT *out) {
    ENTER(SQLNumParams, STMT, stmt);
    return call_leave(&call, stmt_num_params(call.stmt, out));
}

SQLRETURN SQL_API SQLDescribeParam(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT *type,
                                   SQLULEN *size, SQLSMALLINT *digits, SQLSMALLINT *nullable) {
    ENTER(SQLDescribeParam, STMT, stmt);
    return call_leave(&call, stmt_describe_param(call.stmt, number, type, size, digits, nullable));
}

SQLRETURN SQL_API SQLParamData(SQLHSTMT stmt, SQLPOINTER *token) {
    ENTER(SQLParamData, STMT, stmt);
    return call_leave(&call, stmt_param_data(call.stmt, token));
}

SQLRETURN SQL_API SQLPutData(SQLHSTMT stmt, SQLPOINTER data, SQLLEN length) {
    ENTER(SQLPutData, STMT, stmt);
    return call_leave(&call, stmt_put_data(call.stmt, data, length));
}

/* ---- rows */

SQLRETURN SQL_API SQLBindCol(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                             SQLLEN capacity, SQLLEN *indicator) {
    ENTER(SQLBindCol, STMT, stmt);
    return call_leave(&call, stmt_bind_col(call.stmt, number, ctype, data, capacity, indicator));
}

SQLRETURN SQL_API SQLFetch(SQLHSTMT stmt) {
    ENTER(SQLFetch, STMT, stmt);
    return call_leave(&call, stmt_fetch(call.stmt));
}

SQLRETURN SQL_API SQLFetchScroll(SQLHSTMT stmt, SQLSMALLINT orientation, SQLLEN offset) {
    ENTER(SQLFetchScroll, STMT, stmt);
    return call_leave(&call, stmt_fetch_scroll(call.stmt, orientation, offset));
}

SQLRETURN SQL_API SQLExtendedFetch(SQLHSTMT stmt, SQLUSMALLINT orientation, SQLLEN offset,
                                   SQLULEN *fetched, SQLUSMALLINT *status) {
    ENTER(SQLExtendedFetch, STMT, stmt);
    return call_leave(&call, stmt_extended_fetch(call.stmt, orientation, offset, fetched, status));
}

SQLRETURN SQL_API SQLGetData(SQLHSTMT stmt, SQLUSMALLINT number, SQLSMALLINT ctype, SQLPOINTER data,
                             SQLLEN capacity, SQLLEN *indicator) {
    ENTER(SQLGetData, STMT, stmt);
    return call_leave(&call, stmt_get_data(call.stmt, number, ctype, data, capacity, indicator));
}

SQLRETURN SQL_API SQLSetPos(SQLHSTMT stmt, SQLSETPOSIROW row, SQLUSMALLINT operation,
                            SQLUSMALLINT lock) {
    ENTER(SQLSetPos, STMT, stmt);
    return call_leave(&call, stmt_set_pos(call.stmt, row, operation, lock));
}

SQLRETURN SQL_API SQLBulkOperations(SQLHSTMT stmt, SQLSMALLINT operation) {
    ENTER(SQLBulkOperations, STMT, stmt);
    return call_leave(&call, stmt_bulk_operations(call.stmt, operation));
}

/* ---- descriptors */

SQLRETURN SQL_API SQLSetDescRec(SQLHDESC desc, SQLSMALLINT number, SQLSMALLINT type,
                                SQLSMALLINT subtype, SQLLEN length, SQLSMALLINT precision,
                                SQLSMALLINT scale, SQLPOINTER data, SQLLEN *octet_length,
                                SQLLEN *indicator) {
    DescRecArgs args = {number, type, subtype,      precision, scale,
                        length, data, octet_length, indicator};
    ENTER(SQLSetDescRec, DESC, desc);
    return call_leave(&call, desc_set_rec(call.desc, &args));
}

SQLRETURN SQL_API SQLCopyDesc(SQLHDESC source, SQLHDESC target) {
    return desc_copy(source, target);
}
