/*
 * env.h - environments: the application's ODBC version and the connections made from it.
 */
#ifndef TRIB_DRIVER_ENV_H
#define TRIB_DRIVER_ENV_H

#include <stdatomic.h>

#include "driver/call.h"

/* Guarded by its lock; odbc_version is also read without it. */
struct Env {
    Handle base;
    _Atomic uint32_t
        odbc_version; /* as set: 0 (not yet), SQL_OV_ODBC2, SQL_OV_ODBC3, SQL_OV_ODBC3_80 */
    SQLUINTEGER connection_pooling, cp_match;
    Dbc *connections;
};

SQLRETURN env_new(SQLHANDLE *out);
/* Under the lock of self, which is given up on success. HY010 while connections exist. */
SQLRETURN env_free(Env *self);
SQLRETURN env_set_attribute(Env *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER length);
SQLRETURN env_get_attribute(Env *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER *length);

static inline bool env_odbc2(const Env *self) {
    return atomic_load_explicit(&self->odbc_version, memory_order_relaxed) == SQL_OV_ODBC2;
}

#endif
