/*
 * call.h - the frame of every entry point: validate, lock, check the state, clear diagnostics; and at
 * the end trace, unlock, answer.
 *
 *     Call call;
 *     if (!call_enter(&call, API_SQLFetch, SQL_HANDLE_STMT, handle)) return call.result;
 *     return call_leave(&call, statement_fetch_row(call.stmt));
 */
#ifndef TRIB_DRIVER_CALL_H
#define TRIB_DRIVER_CALL_H

#include "driver/handle.h"
#include "driver/text.h"

typedef struct Env Env;
typedef struct Dbc Dbc;
typedef struct Stmt Stmt;
typedef struct Desc Desc;

typedef enum ApiId {
    API_NONE,
#define API(name, id, kind, lock, diagnostics, twins, states) API_##name,
#include "driver/api_functions.def"
#undef API
    API_COUNT
} ApiId;

typedef struct Call {
    ApiId api;
    SQLRETURN result; /* after call_enter said false */
    Handle *handle;   /* locked */
    union {
        Env *env;
        Dbc *dbc;
        Stmt *stmt;
        Desc *desc;
    };
} Call;

/* A call that is to be resumed: an asynchronous one that is still executing (the same function polls
 * it, its arguments are ignored), or an execution that waits for data of its parameters. Stands in the
 * statement. */
typedef struct CallSlot {
    ApiId api; /* of the call that polls; API_NONE: none */
    SQLRETURN (*resume)(Stmt *stmt);
    uint8_t step;   /* meaning is resume's */
    bool direct;    /* SQLExecDirect: a failure forgets the statement */
    bool rows;      /* SQLSetPos, SQLBulkOperations: the data is of bound columns */
    uint32_t param; /* data at execution: the parameter that is being asked for, 0-based */
    SQLULEN row, failed, ignored; /* sets of parameters: under way, failed, left out */
    SQLULEN given_row;            /* number, from 1, of the set whose data at execution is there */
    bool waits;                   /* some set has data at execution */
    SQLLEN total;                 /* rows written so far */
    SQLPOINTER *token;            /* SQLParamData: where it says whose data is wanted next */
} CallSlot;

/* kind: SQL_HANDLE_...; where the table names one, the same. false: return call->result. A foreign,
 * freed or never valid handle is SQL_INVALID_HANDLE or, after a fork, SQL_ERROR. A call that polls a
 * suspended one is resumed in here. */
bool call_enter(Call *call, ApiId api, SQLSMALLINT kind, SQLHANDLE handle);
/* Turns success into success with info when warnings were posted; drops scratch memory; unlocks. */
SQLRETURN call_leave(Call *call, SQLRETURN result);
/* For calls that free their handle: no handle is left to unlock. */
SQLRETURN call_leave_freed(Call *call, SQLRETURN result);
/* Trace lines for calls that take no lock. */
void call_trace(ApiId api, SQLHANDLE handle, SQLRETURN result);

/* Text arguments, converted into scratch memory of the call. length: SQL_NTS or code units. A NULL
 * pointer gives data == NULL. false: the error is posted. */
bool call_text(Call *call, const SQLCHAR *data, SQLLEN length, Str *out);
bool call_text_w(Call *call, const SQLWCHAR *data, SQLLEN length, Str *out);

/* Writes text out and posts 01004 when it was cut. */
SQLRETURN call_text_out(Handle *handle, const TextOut *out, Str text);

const char *api_name(ApiId api);
/* The table of SQLGetFunctions: does the driver export the function of this ODBC id? */
bool api_supported(SQLUSMALLINT id);
/* The n-th exported function's ODBC id, 0 at the end. */
SQLUSMALLINT api_id_at(uint32_t index);

#endif
