/*
 * env.c - environments. Allocating one starts no thread and loads nothing.
 */
#include "driver/env.h"

#include "driver/dbc.h"

SQLRETURN env_new(SQLHANDLE *out) {
    Error err;
    *out = SQL_NULL_HENV;
    Env *self = heap_alloc(sizeof *self);
    if (!self) return SQL_ERROR;
    if (handle_register(&self->base, SQL_HANDLE_ENV, NULL, &err) != TRIB_OK) {
        heap_free(self);
        return SQL_ERROR; /* there is no handle that could carry a record */
    }
    self->connection_pooling = SQL_CP_OFF;
    self->cp_match = SQL_CP_STRICT_MATCH;
    *out = self->base.id;
    handle_publish(&self->base);
    return SQL_SUCCESS;
}

SQLRETURN env_free(Env *self) {
    if (self->connections)
        return diag_error(&self->base, ERR_SEQUENCE, "the environment still has connections");
    handle_retire(&self->base);
    handle_unlock(&self->base);
    handle_release(&self->base);
    heap_free(self);
    return SQL_SUCCESS;
}

SQLRETURN env_set_attribute(Env *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length) {
    SQLUINTEGER number = (SQLUINTEGER)(uintptr_t)value;
    switch (attribute) {
    case SQL_ATTR_ODBC_VERSION:
        if (self->connections)
            return diag_error(&self->base, ERR_SEQUENCE,
                              "the version is set before connections are made");
        if (number != SQL_OV_ODBC2 && number != SQL_OV_ODBC3 && number != SQL_OV_ODBC3_80)
            return diag_error(&self->base, ERR_ATTRIBUTE_VALUE, "%u is no version of ODBC", number);
        atomic_store(&self->odbc_version, number);
        return SQL_SUCCESS;
    case SQL_ATTR_OUTPUT_NTS:
        if (atomic_load(&self->odbc_version) == 0)
            return diag_error(&self->base, ERR_SEQUENCE, "SQL_ATTR_ODBC_VERSION must be set first");
        if (number != SQL_TRUE)
            return diag_error(&self->base, ERR_UNSUPPORTED, "output texts are always terminated");
        return SQL_SUCCESS;
    case SQL_ATTR_CONNECTION_POOLING: self->connection_pooling = number; return SQL_SUCCESS;
    case SQL_ATTR_CP_MATCH: self->cp_match = number; return SQL_SUCCESS;
    default:
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no environment attribute %d",
                          (int)attribute);
    }
}

SQLRETURN env_get_attribute(Env *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER *length) {
    SQLUINTEGER number;
    if (atomic_load(&self->odbc_version) == 0)
        return diag_error(&self->base, ERR_SEQUENCE, "SQL_ATTR_ODBC_VERSION must be set first");
    switch (attribute) {
    case SQL_ATTR_ODBC_VERSION: number = atomic_load(&self->odbc_version); break;
    case SQL_ATTR_OUTPUT_NTS: number = SQL_TRUE; break;
    case SQL_ATTR_CONNECTION_POOLING: number = self->connection_pooling; break;
    case SQL_ATTR_CP_MATCH: number = self->cp_match; break;
    default:
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no environment attribute %d",
                          (int)attribute);
    }
    if (value) memcpy(value, &number, sizeof number);
    if (length) *length = sizeof number;
    return SQL_SUCCESS;
}
