/*
 * call.c - entering and leaving: the only place where handles and states are checked.
 *
 * Order of a call: process stamp (before any lock), registry, lock, suspended call, state table,
 * diagnostics cleared. The table is api_functions.def; its letters follow appendix B of the
 * specification. The cost of a call that does nothing is one lock and one unlock; nothing is
 * allocated.
 */
#include "driver/call.h"

#include "driver/dbc.h"
#include "driver/desc.h"
#include "driver/env.h"
#include "driver/stmt.h"
#include "engine/base/log.h"

enum {
    KIND_ANY = 0,
    KIND_ENV = SQL_HANDLE_ENV,
    KIND_DBC = SQL_HANDLE_DBC,
    KIND_STMT = SQL_HANDLE_STMT,
    KIND_DESC = SQL_HANDLE_DESC
};
enum { LOCK_FREE, LOCK_LOCK };
enum { DIAG_KEEP, DIAG_CLEAR };
enum { TWINS_PLAIN, TWINS_TEXT };

typedef struct ApiRow {
    const char *name;
    SQLUSMALLINT id;
    uint8_t kind, lock, diagnostics, twins;
    const char *states;
} ApiRow;

static const ApiRow api_rows[API_COUNT] = {
    [API_NONE] = {"", 0, KIND_ANY, LOCK_FREE, DIAG_KEEP, TWINS_PLAIN, ""},
#define API(name, id, kind, lock, diagnostics, twins, states) \
    [API_##name] = {#name, id, KIND_##kind, LOCK_##lock, DIAG_##diagnostics, TWINS_##twins, states},
#include "driver/api_functions.def"
#undef API
};

const char *api_name(ApiId api) {
    return api_rows[api].name;
}

bool api_supported(SQLUSMALLINT id) {
    for (uint32_t i = 1; i < API_COUNT; i++)
        if (api_rows[i].id == id) return true;
    return false;
}

SQLUSMALLINT api_id_at(uint32_t index) {
    return index + 1 < API_COUNT ? api_rows[index + 1].id : 0;
}

/* Posts what a letter of the state table means; false: the call is not allowed. */
static bool state_verdict(Call *call, char letter, bool prepared) {
    Handle *handle = call->handle;
    if (letter == 'p') letter = prepared ? '.' : 'S';
    if (letter == 'q') letter = prepared ? 'C' : 'S';
    switch (letter) {
    case 'S':
        (void)diag_error(handle, ERR_SEQUENCE,
                         "%s is not allowed now: another call must come first",
                         api_name(call->api));
        return false;
    case 'C':
        (void)diag_error(handle, ERR_CURSOR_STATE, "%s does not fit the state of the cursor",
                         api_name(call->api));
        return false;
    case '7':
        (void)diag_error(handle, ERR_NOT_A_CURSOR, "the statement returns no rows");
        return false;
    case 'N':
        (void)diag_error(handle, ERR_CONNECTION_NOT_OPEN, "the connection is not open");
        return false;
    case 'U':
        (void)diag_error(handle, ERR_CONNECTION_IN_USE, "the connection is already open");
        return false;
    default: return true;
    }
}

/* A call that executes, over a cursor that its program takes for closed (cancel_idle in stmt.c). */
static void close_disowned(Stmt *stmt, const ApiRow *row) {
    char executed = row->states[STMT_EXECUTED - STMT_ALLOCATED];
    char cursor = row->states[STMT_CURSOR - STMT_ALLOCATED];
    if (!stmt->cursor.disowned || stmt->state < STMT_CURSOR || stmt->state >= STMT_NEED_DATA)
        return;
    if ((executed == '.' || executed == 'p') && (cursor == 'C' || cursor == 'q'))
        (void)stmt_close_cursor(stmt);
}

static bool stmt_allowed(Call *call, const ApiRow *row) {
    Stmt *stmt = call->stmt;
    if (stmt->state >= STMT_EXECUTING)
        return stmt->slot.api == call->api || state_verdict(call, 'S', false);
    if (!row->states[0]) return true;
    close_disowned(stmt, row);
    return state_verdict(call, row->states[stmt->state - STMT_ALLOCATED], stmt->prepared);
}

static bool dbc_allowed(Call *call, const ApiRow *row) {
    if (!row->states[0]) return true;
    return state_verdict(call, row->states[call->dbc->state], false);
}

/* An implicit descriptor may not be touched while its statement is under way or waits for data. */
static bool desc_allowed(Call *call) {
    const Stmt *stmt = call->desc->stmt;
    if (!call->desc->automatic || !stmt || stmt->state < STMT_NEED_DATA) return true;
    return state_verdict(call, 'S', false);
}

static bool state_allows(Call *call, const ApiRow *row, SQLSMALLINT kind) {
    if (row->diagnostics == DIAG_KEEP) return true;
    switch (kind) {
    case SQL_HANDLE_STMT: return stmt_allowed(call, row);
    case SQL_HANDLE_DBC: return dbc_allowed(call, row);
    case SQL_HANDLE_DESC: return desc_allowed(call);
    default: return true;
    }
}

void call_trace(ApiId api, SQLHANDLE handle, SQLRETURN result) {
    if (log_enabled(LOG_TRACE))
        log_write(LOG_TRACE, "odbc", "%s(%p) = %d", api_name(api), handle, (int)result);
}

bool call_enter(Call *call, ApiId api, SQLSMALLINT kind, SQLHANDLE handle) {
    const ApiRow *row = &api_rows[api];
    call->api = api;
    call->handle = handle_lock(handle, kind);
    if (!call->handle) {
        call->result = handle_foreign(handle, kind) ? SQL_ERROR : SQL_INVALID_HANDLE;
        call_trace(api, handle, call->result);
        return false;
    }
    call->env = (Env *)call->handle; /* all four begin with the Handle */
    if (row->diagnostics == DIAG_CLEAR) diag_clear(&call->handle->diag);
    SQLRETURN result = SQL_ERROR;
    if (state_allows(call, row, kind)) {
        bool polls = kind == SQL_HANDLE_STMT && row->diagnostics == DIAG_CLEAR &&
                     call->stmt->state >= STMT_EXECUTING;
        if (!polls) {
            if (kind == SQL_HANDLE_STMT && row->diagnostics == DIAG_CLEAR)
                stmt_begin_call(call->stmt);
            return true;
        }
        result = stmt_resume(call->stmt);
    }
    call->result = call_leave(call, result);
    return false;
}

SQLRETURN call_leave(Call *call, SQLRETURN result) {
    Handle *handle = call->handle;
    if (result == SQL_SUCCESS && handle->diag.warned &&
        api_rows[call->api].diagnostics == DIAG_CLEAR)
        result = SQL_SUCCESS_WITH_INFO;
    if (api_rows[call->api].diagnostics == DIAG_CLEAR) handle->diag.return_code = result;
    if (result == SQL_ERROR && handle->kind == SQL_HANDLE_STMT &&
        call->stmt->state < STMT_EXECUTING)
        stmt_forget_cancel(call->stmt);
    if (result == SQL_STILL_EXECUTING && handle->kind == SQL_HANDLE_STMT)
        stmt_suspend(call->stmt, call->api);
    if (handle->scratch_used) {
        arena_reset(handle->scratch);
        handle->scratch_used = false;
    }
    if (log_enabled(LOG_TRACE)) call_trace(call->api, handle->id, result);
    handle_unlock(handle);
    return result;
}

SQLRETURN call_leave_freed(Call *call, SQLRETURN result) {
    call_trace(call->api, NULL, result);
    return result;
}

static bool text_length_wrong(Call *call, SQLLEN length) {
    if (length >= 0 || length == SQL_NTS) return false;
    (void)diag_error(call->handle, ERR_STRING_LENGTH, "a text argument has the length %lld",
                     (long long)length);
    return true;
}

bool call_text(Call *call, const SQLCHAR *data, SQLLEN length, Str *out) {
    *out = (Str){NULL, 0};
    if (!data) return true;
    if (text_length_wrong(call, length)) return false;
    *out =
        (Str){(const char *)data, length == SQL_NTS ? strlen((const char *)data) : (size_t)length};
    if (utf8_valid(out->data, out->len)) return true;
    (void)diag_error(call->handle, ERR_INVALID_ENCODING, "a text argument is not valid UTF-8");
    return false;
}

bool call_text_w(Call *call, const SQLWCHAR *data, SQLLEN length, Str *out) {
    *out = (Str){NULL, 0};
    if (!data) return true;
    if (text_length_wrong(call, length)) return false;
    Error err;
    Arena *scratch = handle_scratch(call->handle);
    Status status =
        scratch ? text_from_wide(scratch, data,
                                 length == SQL_NTS ? wide_length(data) : (size_t)length, out, &err)
                : error_out_of_memory(&err);
    if (status != TRIB_OK) (void)diag_engine(call->handle, &err);
    return status == TRIB_OK;
}

SQLRETURN call_text_out(Handle *handle, const TextOut *out, Str text) {
    if (text_out(out, text))
        diag_warning(handle, ERR_STRING_TRUNCATED,
                     "the text is longer than the buffer and was cut");
    return SQL_SUCCESS;
}
