/*
 * api_text_twins.h - the template of the functions with text; included by api_text.c once per twin.
 *
 * TWIN(name): the function's name; TWIN_TEXT: its character type; TWIN_IN: conversion of an argument
 * to UTF-8; TWIN_WIDE, TWIN_UNIT: UTF-16 or not, bytes of a code unit.
 */

/* Output whose lengths are in characters, and in bytes. */
static TextOut TWIN(out_characters)(void *buffer, SQLLEN capacity, SQLSMALLINT *length) {
    return (TextOut){.buffer = buffer, .capacity = capacity, .wide = TWIN_WIDE, .length16 = length};
}

static TextOut TWIN(out_bytes)(void *buffer, SQLLEN capacity, SQLSMALLINT *length16, SQLINTEGER *length32) {
    return (TextOut){.buffer = buffer, .capacity = capacity < 0 ? capacity : capacity / TWIN_UNIT, .wide = TWIN_WIDE,
                     .bytes = true, .length16 = length16, .length32 = length32};
}

/* A negative length of an output buffer is posted as HY090. */
static bool TWIN(out_wrong)(Call *call, const TextOut *out) {
    if (!out->buffer || out->capacity >= 0) return false;
    (void)diag_error(call->handle, ERR_STRING_LENGTH, "the buffer's length is negative");
    return true;
}

typedef struct TWIN(NameArg) {
    const TWIN_TEXT *text;
    SQLSMALLINT length;
} TWIN(NameArg);

static bool TWIN(names_in)(Call *call, const TWIN(NameArg) *args, size_t count, Str *out) {
    for (size_t i = 0; i < count; i++)
        if (!TWIN_IN(call, args[i].text, args[i].length, &out[i])) return false;
    return true;
}

#define NAMES(...) ((const TWIN(NameArg)[]){__VA_ARGS__})
#define ENTER_STMT(name)                                                                           \
    Call call;                                                                                     \
    if (!call_enter(&call, API_##name, SQL_HANDLE_STMT, stmt)) return call.result
#define ENTER_DBC(name)                                                                            \
    Call call;                                                                                     \
    if (!call_enter(&call, API_##name, SQL_HANDLE_DBC, dbc)) return call.result

/* ---- connections */

SQLRETURN SQL_API TWIN(SQLConnect)(SQLHDBC dbc, TWIN_TEXT *source, SQLSMALLINT source_length, TWIN_TEXT *user,
                                   SQLSMALLINT user_length, TWIN_TEXT *password, SQLSMALLINT password_length) {
    Str names[3];
    ENTER_DBC(SQLConnect);
    if (!TWIN(names_in)(&call, NAMES({source, source_length}, {user, user_length}, {password, password_length}), 3,
                        names))
        return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_connect(call.dbc, names[0], names[1], names[2]));
}

SQLRETURN SQL_API TWIN(SQLDriverConnect)(SQLHDBC dbc, SQLHWND window, TWIN_TEXT *in, SQLSMALLINT in_length,
                                         TWIN_TEXT *buffer, SQLSMALLINT capacity, SQLSMALLINT *length,
                                         SQLUSMALLINT completion) {
    Str text;
    TextOut out = TWIN(out_characters)(buffer, capacity, length);
    (void)window;
    ENTER_DBC(SQLDriverConnect);
    if (!TWIN_IN(&call, in, in_length, &text) || TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_driver_connect(call.dbc, text, completion, &out));
}

/* Nothing must be asked for: the first call connects. */
SQLRETURN SQL_API TWIN(SQLBrowseConnect)(SQLHDBC dbc, TWIN_TEXT *in, SQLSMALLINT in_length, TWIN_TEXT *buffer,
                                         SQLSMALLINT capacity, SQLSMALLINT *length) {
    Str text;
    TextOut out = TWIN(out_characters)(buffer, capacity, length);
    ENTER_DBC(SQLBrowseConnect);
    if (!TWIN_IN(&call, in, in_length, &text) || TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_driver_connect(call.dbc, text, SQL_DRIVER_NOPROMPT, &out));
}

SQLRETURN SQL_API TWIN(SQLSetConnectAttr)(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length) {
    Str text = {NULL, 0};
    ENTER_DBC(SQLSetConnectAttr);
    if (dbc_attribute_is_text(attribute) &&
        !TWIN_IN(&call, value, length == SQL_NTS ? length : length / TWIN_UNIT, &text))
        return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_set_attribute(call.dbc, attribute, value, text));
}

SQLRETURN SQL_API TWIN(SQLGetConnectAttr)(SQLHDBC dbc, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity,
                                          SQLINTEGER *length) {
    TextOut out = TWIN(out_bytes)(value, capacity, NULL, length);
    ENTER_DBC(SQLGetConnectAttr);
    if (dbc_attribute_is_text(attribute) && TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_get_attribute(call.dbc, attribute, value, length, &out));
}

SQLRETURN SQL_API TWIN(SQLGetInfo)(SQLHDBC dbc, SQLUSMALLINT type, SQLPOINTER value, SQLSMALLINT capacity,
                                   SQLSMALLINT *length) {
    ENTER_DBC(SQLGetInfo);
    return call_leave(&call, dbc_info(call.dbc, type, value, capacity, length, TWIN_WIDE));
}

SQLRETURN SQL_API TWIN(SQLNativeSql)(SQLHDBC dbc, TWIN_TEXT *in, SQLINTEGER in_length, TWIN_TEXT *buffer,
                                     SQLINTEGER capacity, SQLINTEGER *length) {
    Str sql;
    TextOut out = {.buffer = buffer, .capacity = capacity, .wide = TWIN_WIDE, .length32 = length};
    ENTER_DBC(SQLNativeSql);
    if (!TWIN_IN(&call, in, in_length, &sql) || TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, dbc_native_sql(call.dbc, sql, &out));
}

/* ---- statements */

SQLRETURN SQL_API TWIN(SQLPrepare)(SQLHSTMT stmt, TWIN_TEXT *text, SQLINTEGER length) {
    Str sql;
    ENTER_STMT(SQLPrepare);
    if (!TWIN_IN(&call, text, length, &sql)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_prepare(call.stmt, sql));
}

SQLRETURN SQL_API TWIN(SQLExecDirect)(SQLHSTMT stmt, TWIN_TEXT *text, SQLINTEGER length) {
    Str sql;
    ENTER_STMT(SQLExecDirect);
    if (!TWIN_IN(&call, text, length, &sql)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_execute_direct(call.stmt, sql));
}

SQLRETURN SQL_API TWIN(SQLDescribeCol)(SQLHSTMT stmt, SQLUSMALLINT number, TWIN_TEXT *buffer, SQLSMALLINT capacity,
                                       SQLSMALLINT *length, SQLSMALLINT *type, SQLULEN *size, SQLSMALLINT *digits,
                                       SQLSMALLINT *nullable) {
    TextOut out = TWIN(out_characters)(buffer, capacity, length);
    DescribeOut all = {&out, type, digits, nullable, size};
    ENTER_STMT(SQLDescribeCol);
    if (TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_describe_col(call.stmt, number, &all));
}

SQLRETURN SQL_API TWIN(SQLColAttribute)(SQLHSTMT stmt, SQLUSMALLINT number, SQLUSMALLINT field, SQLPOINTER buffer,
                                        SQLSMALLINT capacity, SQLSMALLINT *length, SQLLEN *value) {
    TextOut out = TWIN(out_bytes)(buffer, capacity, length, NULL);
    ENTER_STMT(SQLColAttribute);
    if (TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_col_attribute(call.stmt, number, field, &out, value));
}

SQLRETURN SQL_API TWIN(SQLGetCursorName)(SQLHSTMT stmt, TWIN_TEXT *buffer, SQLSMALLINT capacity, SQLSMALLINT *length) {
    TextOut out = TWIN(out_characters)(buffer, capacity, length);
    ENTER_STMT(SQLGetCursorName);
    if (TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_cursor_name(call.stmt, &out));
}

SQLRETURN SQL_API TWIN(SQLSetCursorName)(SQLHSTMT stmt, TWIN_TEXT *text, SQLSMALLINT length) {
    Str name;
    ENTER_STMT(SQLSetCursorName);
    if (!TWIN_IN(&call, text, length, &name)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_set_cursor_name(call.stmt, name));
}

SQLRETURN SQL_API TWIN(SQLSetStmtAttr)(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length) {
    ENTER_STMT(SQLSetStmtAttr);
    return call_leave(&call, stmt_set_attribute(call.stmt, attribute, value));
}

SQLRETURN SQL_API TWIN(SQLGetStmtAttr)(SQLHSTMT stmt, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER capacity,
                                       SQLINTEGER *length) {
    ENTER_STMT(SQLGetStmtAttr);
    return call_leave(&call, stmt_get_attribute(call.stmt, attribute, value, length));
}

/* ---- catalog functions */

SQLRETURN SQL_API TWIN(SQLTables)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                  TWIN_TEXT *c, SQLSMALLINT cn, TWIN_TEXT *d, SQLSMALLINT dn) {
    Str names[4];
    ENTER_STMT(SQLTables);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}, {d, dn}), 4, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_tables(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLColumns)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                   TWIN_TEXT *c, SQLSMALLINT cn, TWIN_TEXT *d, SQLSMALLINT dn) {
    Str names[4];
    ENTER_STMT(SQLColumns);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}, {d, dn}), 4, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_columns(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLPrimaryKeys)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                       TWIN_TEXT *c, SQLSMALLINT cn) {
    Str names[3];
    ENTER_STMT(SQLPrimaryKeys);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}), 3, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_primary_keys(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLStatistics)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                      TWIN_TEXT *c, SQLSMALLINT cn, SQLUSMALLINT unique, SQLUSMALLINT reserved) {
    Str names[3];
    ENTER_STMT(SQLStatistics);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}), 3, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_statistics(call.stmt, names, unique, reserved));
}

SQLRETURN SQL_API TWIN(SQLSpecialColumns)(SQLHSTMT stmt, SQLUSMALLINT kind, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b,
                                          SQLSMALLINT bn, TWIN_TEXT *c, SQLSMALLINT cn, SQLUSMALLINT scope,
                                          SQLUSMALLINT nullable) {
    Str names[3];
    ENTER_STMT(SQLSpecialColumns);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}), 3, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_special_columns(call.stmt, names, kind, scope, nullable));
}

SQLRETURN SQL_API TWIN(SQLForeignKeys)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                       TWIN_TEXT *c, SQLSMALLINT cn, TWIN_TEXT *d, SQLSMALLINT dn, TWIN_TEXT *e,
                                       SQLSMALLINT en, TWIN_TEXT *f, SQLSMALLINT fn) {
    Str names[6];
    ENTER_STMT(SQLForeignKeys);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}, {d, dn}, {e, en}, {f, fn}), 6, names))
        return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_foreign_keys(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLProcedures)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                      TWIN_TEXT *c, SQLSMALLINT cn) {
    Str names[3];
    ENTER_STMT(SQLProcedures);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}), 3, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_procedures(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLProcedureColumns)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                            TWIN_TEXT *c, SQLSMALLINT cn, TWIN_TEXT *d, SQLSMALLINT dn) {
    Str names[4];
    ENTER_STMT(SQLProcedureColumns);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}, {d, dn}), 4, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_procedure_columns(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLTablePrivileges)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                           TWIN_TEXT *c, SQLSMALLINT cn) {
    Str names[3];
    ENTER_STMT(SQLTablePrivileges);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}), 3, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_table_privileges(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLColumnPrivileges)(SQLHSTMT stmt, TWIN_TEXT *a, SQLSMALLINT an, TWIN_TEXT *b, SQLSMALLINT bn,
                                            TWIN_TEXT *c, SQLSMALLINT cn, TWIN_TEXT *d, SQLSMALLINT dn) {
    Str names[4];
    ENTER_STMT(SQLColumnPrivileges);
    if (!TWIN(names_in)(&call, NAMES({a, an}, {b, bn}, {c, cn}, {d, dn}), 4, names)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, stmt_column_privileges(call.stmt, names));
}

SQLRETURN SQL_API TWIN(SQLGetTypeInfo)(SQLHSTMT stmt, SQLSMALLINT type) {
    ENTER_STMT(SQLGetTypeInfo);
    return call_leave(&call, stmt_type_info(call.stmt, type));
}

/* ---- descriptors and diagnostics */

SQLRETURN SQL_API TWIN(SQLSetDescField)(SQLHDESC desc, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
                                        SQLINTEGER length) {
    Call call;
    Str text = {NULL, 0};
    if (!call_enter(&call, API_SQLSetDescField, SQL_HANDLE_DESC, desc)) return call.result;
    if (desc_field_is_text(field) && !TWIN_IN(&call, value, length == SQL_NTS ? length : length / TWIN_UNIT, &text))
        return call_leave(&call, SQL_ERROR);
    return call_leave(&call, desc_set_field(call.desc, number, field, value, text));
}

SQLRETURN SQL_API TWIN(SQLGetDescField)(SQLHDESC desc, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
                                        SQLINTEGER capacity, SQLINTEGER *length) {
    Call call;
    TextOut out = TWIN(out_bytes)(value, capacity, NULL, length);
    if (!call_enter(&call, API_SQLGetDescField, SQL_HANDLE_DESC, desc)) return call.result;
    if (desc_field_is_text(field) && TWIN(out_wrong)(&call, &out)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, desc_get_field(call.desc, call.handle, number, field, value, length, &out));
}

SQLRETURN SQL_API TWIN(SQLGetDescRec)(SQLHDESC desc, SQLSMALLINT number, TWIN_TEXT *name, SQLSMALLINT capacity,
                                      SQLSMALLINT *name_length, SQLSMALLINT *type, SQLSMALLINT *subtype, SQLLEN *length,
                                      SQLSMALLINT *precision, SQLSMALLINT *scale, SQLSMALLINT *nullable) {
    Call call;
    TextOut text = TWIN(out_characters)(name, capacity, name_length);
    DescRecOut out = {type, subtype, precision, scale, nullable, length, &text};
    if (!call_enter(&call, API_SQLGetDescRec, SQL_HANDLE_DESC, desc)) return call.result;
    if (TWIN(out_wrong)(&call, &text)) return call_leave(&call, SQL_ERROR);
    return call_leave(&call, desc_get_rec(call.desc, number, &out));
}

SQLRETURN SQL_API TWIN(SQLGetDiagRec)(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, TWIN_TEXT *state,
                                      SQLINTEGER *native, TWIN_TEXT *buffer, SQLSMALLINT capacity, SQLSMALLINT *length) {
    TextOut state_out = TWIN(out_characters)(state, 6, NULL), out = TWIN(out_characters)(buffer, capacity, length);
    return diag_get_record(kind, handle, number, &state_out, native, &out);
}

SQLRETURN SQL_API TWIN(SQLGetDiagField)(SQLSMALLINT kind, SQLHANDLE handle, SQLSMALLINT number, SQLSMALLINT field,
                                        SQLPOINTER value, SQLSMALLINT capacity, SQLSMALLINT *length) {
    TextOut out = TWIN(out_bytes)(value, capacity, length, NULL);
    return diag_get_field(kind, handle, number, field, value, &out);
}

#undef NAMES
#undef ENTER_STMT
#undef ENTER_DBC
