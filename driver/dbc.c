/*
 * dbc.c - connections: life, attributes, transactions.
 *
 * Freeing: the handle is retired first, under its own lock, so that no call finds it any more; what
 * remains is unlinked and freed under the parent's lock. So no two locks are ever taken upwards.
 * Threads: under the connection's lock, except where said.
 */
#include "driver/dbc.h"

#include "driver/change.h"

static const DbcOptions default_options = {
    .access_mode = SQL_MODE_READ_WRITE,
    .autocommit = SQL_AUTOCOMMIT_ON,
    .isolation = 0, /* the default catalog's own */
    .login_timeout = SQL_LOGIN_TIMEOUT_DEFAULT,
    .odbc_cursors = SQL_CUR_USE_DRIVER,
};

SQLRETURN dbc_new(Env *env, SQLHANDLE *out) {
    Error err;
    *out = SQL_NULL_HDBC;
    if (atomic_load(&env->odbc_version) == 0)
        return diag_error(&env->base, ERR_SEQUENCE, "SQL_ATTR_ODBC_VERSION must be set first");
    Dbc *self = heap_alloc(sizeof *self);
    if (!self) return diag_no_memory(&env->base);
    self->env = env;
    self->options = default_options;
    pthread_mutex_init(&self->names_lock, NULL);
    stmt_options_init(&self->defaults);
    if (handle_register(&self->base, SQL_HANDLE_DBC, NULL, &err) != TRIB_OK) {
        pthread_mutex_destroy(&self->names_lock);
        heap_free(self);
        return diag_engine(&env->base, &err);
    }
    self->next = env->connections;
    env->connections = self;
    *out = self->base.id;
    handle_publish(&self->base);
    return SQL_SUCCESS;
}

static void dbc_destroy(Dbc *self) {
    arena_free(self->arena);
    heap_free(self->catalog);
    pthread_mutex_destroy(&self->names_lock);
    handle_release(&self->base);
    heap_free(self);
}

SQLRETURN dbc_free_handle(SQLHANDLE handle) {
    Call call;
    if (!call_enter(&call, API_SQLFreeHandle, SQL_HANDLE_DBC, handle)) return call.result;
    Dbc *self = call.dbc;
    if (self->state != DBC_ALLOCATED)
        return call_leave(&call,
                          diag_error(&self->base, ERR_SEQUENCE, "the connection is still open"));
    SQLHANDLE env_id = self->env->base.id;
    handle_retire(&self->base);
    handle_unlock(&self->base);
    Env *env = (Env *)handle_lock(env_id, SQL_HANDLE_ENV);
    if (env) { /* an environment with connections is not freed */
        Dbc **place = &env->connections;
        while (*place && *place != self) place = &(*place)->next;
        if (*place) *place = self->next;
        handle_unlock(&env->base);
    }
    dbc_destroy(self);
    return call_leave_freed(&call, SQL_SUCCESS);
}

void handle_warning_sink(void *context, const Error *warning) {
    diag_engine_warning(context, warning);
}

/* A statement that another thread executes is cancelled, so that its lock comes free soon. */
static Handle *statement_lock(Stmt *stmt) {
    Statement *engine = atomic_load(&stmt->engine);
    if (handle_try_lock(&stmt->base)) {
        handle_unlock(&stmt->base);
    } else {
        if (engine) statement_cancel(engine);
        change_cancel(stmt);
    }
    return handle_lock(stmt->base.id, SQL_HANDLE_STMT);
}

/* No statement may be executing asynchronously or waiting for data. */
static bool statements_idle(Dbc *self) {
    for (Stmt *stmt = self->stmts; stmt; stmt = stmt->next) {
        Handle *locked = statement_lock(stmt);
        if (!locked) continue;
        bool busy = stmt->state >= STMT_NEED_DATA;
        handle_unlock(locked);
        if (busy) return false;
    }
    return true;
}

SQLRETURN dbc_disconnect(Dbc *self) {
    if (!statements_idle(self))
        return diag_error(&self->base, ERR_SEQUENCE,
                          "a statement of the connection is still executing");
    if (session_in_transaction(self->session) && session_alive(self->session))
        return diag_error(&self->base, ERR_TRANSACTION_STATE,
                          "a transaction is open; commit it or roll it back first");
    stmt_free_all(self);
    session_close(self->session);
    self->session = NULL;
    arena_free(self->arena);
    self->arena = NULL;
    self->dsn = self->driver = self->server = (Str){NULL, 0};
    self->browsed = NULL;
    self->state = DBC_ALLOCATED;
    return SQL_SUCCESS;
}

/* ---- transactions */

void dbc_transaction_ended(Dbc *self, bool committed) {
    pthread_mutex_lock(&self->names_lock);
    self->transactions++;
    self->outcomes = self->outcomes << 1 | committed;
    pthread_mutex_unlock(&self->names_lock);
}

uint32_t dbc_transaction_number(Dbc *self) {
    pthread_mutex_lock(&self->names_lock);
    uint32_t number = self->transactions;
    pthread_mutex_unlock(&self->names_lock);
    return number;
}

bool dbc_transaction_over(Dbc *self, uint32_t number, bool *committed) {
    pthread_mutex_lock(&self->names_lock);
    uint32_t since = self->transactions - number;
    *committed = since > 0 && since <= 64 && (self->outcomes >> (since - 1) & 1);
    pthread_mutex_unlock(&self->names_lock);
    return since > 0;
}

/* Under the connection's lock; posts to the handle that was asked. */
static SQLRETURN transaction_complete(Dbc *self, Handle *poster, SQLSMALLINT completion) {
    Error err;
    if (!statements_idle(self))
        return diag_error(poster, ERR_SEQUENCE, "a statement of the connection is still executing");
    Status status = session_end_transaction(self->session, completion == SQL_COMMIT, &err);
    dbc_transaction_ended(self, completion == SQL_COMMIT && status == TRIB_OK);
    return status == TRIB_OK ? SQL_SUCCESS : diag_engine(poster, &err);
}

SQLRETURN dbc_end_transaction(Dbc *self, SQLSMALLINT completion) {
    if (completion != SQL_COMMIT && completion != SQL_ROLLBACK)
        return diag_error(&self->base, ERR_TRANSACTION_CODE, "%d is neither commit nor rollback",
                          (int)completion);
    if (self->state != DBC_CONNECTED)
        return diag_error(&self->base, ERR_CONNECTION_NOT_OPEN, "the connection is not open");
    return transaction_complete(self, &self->base, completion);
}

SQLRETURN env_end_transaction(Env *self, SQLSMALLINT completion) {
    if (completion != SQL_COMMIT && completion != SQL_ROLLBACK)
        return diag_error(&self->base, ERR_TRANSACTION_CODE, "%d is neither commit nor rollback",
                          (int)completion);
    SQLRETURN result = SQL_SUCCESS;
    for (Dbc *dbc = self->connections; dbc; dbc = dbc->next) {
        if (!handle_lock(dbc->base.id, SQL_HANDLE_DBC)) continue;
        if (dbc->state == DBC_CONNECTED &&
            transaction_complete(dbc, &self->base, completion) != SQL_SUCCESS)
            result = SQL_ERROR; /* the others are ended all the same */
        handle_unlock(&dbc->base);
    }
    return result;
}

/* ---- attributes */

typedef enum AttributeKind { ATTRIBUTE_32, ATTRIBUTE_LONG, ATTRIBUTE_POINTER } AttributeKind;

typedef struct DbcAttribute {
    SQLINTEGER id;
    uint8_t kind;    /* how SQLGetConnectAttr writes it */
    bool before;     /* may be set before connecting */
    bool after;      /* may be set on an open connection */
    uint16_t offset; /* in DbcOptions */
} DbcAttribute;

#define OPTION(member) offsetof(DbcOptions, member)

static const DbcAttribute dbc_attributes[] = {
    {SQL_ATTR_ACCESS_MODE, ATTRIBUTE_32, true, true, OPTION(access_mode)},
    {SQL_ATTR_AUTOCOMMIT, ATTRIBUTE_32, true, true, OPTION(autocommit)},
    {SQL_ATTR_TXN_ISOLATION, ATTRIBUTE_32, true, true, OPTION(isolation)},
    {SQL_ATTR_LOGIN_TIMEOUT, ATTRIBUTE_32, true, false, OPTION(login_timeout)},
    {SQL_ATTR_CONNECTION_TIMEOUT, ATTRIBUTE_32, true, true, OPTION(connection_timeout)},
    {SQL_ATTR_ODBC_CURSORS, ATTRIBUTE_LONG, true, false, OPTION(odbc_cursors)},
    {SQL_ATTR_PACKET_SIZE, ATTRIBUTE_32, true, false, OPTION(packet_size)},
    {SQL_ATTR_TRANSLATE_OPTION, ATTRIBUTE_32, true, true, OPTION(translate_option)},
    {SQL_ATTR_TRACE, ATTRIBUTE_32, true, true, OPTION(trace)},
    {SQL_ATTR_QUIET_MODE, ATTRIBUTE_POINTER, true, true, OPTION(quiet_mode)},
};

static const DbcAttribute *attribute_find(SQLINTEGER id) {
    for (size_t i = 0; i < COUNT_OF(dbc_attributes); i++)
        if (dbc_attributes[i].id == id) return &dbc_attributes[i];
    return NULL;
}

bool dbc_attribute_is_text(SQLINTEGER attribute) {
    return attribute == SQL_ATTR_CURRENT_CATALOG || attribute == SQL_ATTR_TRACEFILE ||
           attribute == SQL_ATTR_TRANSLATE_LIB;
}

static SQLRETURN value_wrong(Dbc *self, const char *what, SQLULEN value) {
    return diag_error(&self->base, ERR_ATTRIBUTE_VALUE, "%llu is no value of %s",
                      (unsigned long long)value, what);
}

static SQLRETURN set_catalog(Dbc *self, Str name) {
    Error err;
    if (self->state == DBC_CONNECTED) {
        if (session_set(self->session, STR("catalog"), name, &err) != TRIB_OK)
            return diag_engine(&self->base, &err);
        return SQL_SUCCESS;
    }
    char *copy = heap_alloc(name.len + 1);
    if (!copy) return diag_no_memory(&self->base);
    if (name.len) memcpy(copy, name.data, name.len);
    heap_free(self->catalog);
    self->catalog = copy;
    return SQL_SUCCESS;
}

static SQLRETURN set_autocommit(Dbc *self, SQLULEN value) {
    Error err;
    if (value != SQL_AUTOCOMMIT_ON && value != SQL_AUTOCOMMIT_OFF)
        return value_wrong(self, "SQL_ATTR_AUTOCOMMIT", value);
    if (self->state == DBC_CONNECTED) {
        Status status = session_set_autocommit(self->session, value == SQL_AUTOCOMMIT_ON, &err);
        dbc_transaction_ended(self, status == TRIB_OK);
        if (status != TRIB_OK) return diag_engine(&self->base, &err);
    }
    self->options.autocommit = value;
    return SQL_SUCCESS;
}

static SQLRETURN set_access(Dbc *self, SQLULEN value) {
    if (value != SQL_MODE_READ_ONLY && value != SQL_MODE_READ_WRITE)
        return value_wrong(self, "SQL_ATTR_ACCESS_MODE", value);
    self->options.access_mode = value;
    if (self->state == DBC_CONNECTED)
        session_refuse_writes(self->session, value == SQL_MODE_READ_ONLY);
    return SQL_SUCCESS;
}

/* Pooling: back to the state after connecting. */
static SQLRETURN reset_connection(Dbc *self) {
    Error err;
    if (self->state != DBC_CONNECTED) return SQL_SUCCESS;
    if (session_end_transaction(self->session, false, &err) != TRIB_OK ||
        session_reset(self->session, &err) != TRIB_OK ||
        session_set_autocommit(self->session, self->connect_options.autocommit == SQL_AUTOCOMMIT_ON,
                               &err) != TRIB_OK ||
        session_set_isolation(self->session, (uint32_t)self->connect_options.isolation, &err) !=
            TRIB_OK)
        return diag_engine(&self->base, &err);
    dbc_transaction_ended(self, false);
    self->options = self->connect_options;
    self->defaults = self->connect_defaults;
    session_refuse_writes(self->session, self->options.access_mode == SQL_MODE_READ_ONLY);
    return SQL_SUCCESS;
}

static SQLRETURN set_isolation(Dbc *self, SQLULEN value) {
    Error err;
    if (value != SQL_TXN_READ_UNCOMMITTED && value != SQL_TXN_READ_COMMITTED &&
        value != SQL_TXN_REPEATABLE_READ && value != SQL_TXN_SERIALIZABLE)
        return value_wrong(self, "SQL_ATTR_TXN_ISOLATION", value);
    if (self->state == DBC_CONNECTED && session_in_transaction(self->session))
        return diag_error(&self->base, ERR_ATTRIBUTE_NOW,
                          "the isolation level cannot change while a transaction is open");
    if (self->state == DBC_CONNECTED &&
        session_set_isolation(self->session, (uint32_t)value, &err) != TRIB_OK)
        return diag_engine(&self->base, &err);
    self->options.isolation = value;
    return SQL_SUCCESS;
}

static SQLRETURN set_special(Dbc *self, SQLINTEGER attribute, SQLULEN value, bool *known) {
    *known = true;
    switch (attribute) {
    case SQL_ATTR_AUTOCOMMIT: return set_autocommit(self, value);
    case SQL_ATTR_TXN_ISOLATION: return set_isolation(self, value);
    case SQL_ATTR_ACCESS_MODE: return set_access(self, value);
    case SQL_ATTR_ANSI_APP: return SQL_SUCCESS; /* both kinds are served alike */
    case SQL_ATTR_RESET_CONNECTION: return reset_connection(self);
    case SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE:
        if (value == SQL_ASYNC_DBC_ENABLE_OFF) return SQL_SUCCESS;
        return diag_error(&self->base, ERR_UNSUPPORTED, "connection calls cannot be asynchronous");
    case SQL_ATTR_AUTO_IPD:
    case SQL_ATTR_CONNECTION_DEAD:
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "the attribute %d can only be read",
                          (int)attribute);
    case SQL_ATTR_ENLIST_IN_DTC:
        return diag_error(&self->base, ERR_UNSUPPORTED, "distributed transactions are not offered");
    default: *known = false; return SQL_SUCCESS;
    }
}

SQLRETURN dbc_set_attribute(Dbc *self, SQLINTEGER attribute, SQLPOINTER value, Str text) {
    SQLULEN number = (SQLULEN)(uintptr_t)value;
    bool known;
    if (attribute == SQL_ATTR_CURRENT_CATALOG) return set_catalog(self, text);
    if (attribute == SQL_ATTR_TRACEFILE) return SQL_SUCCESS; /* the manager traces */
    if (attribute == SQL_ATTR_TRANSLATE_LIB)
        return diag_error(&self->base, ERR_UNSUPPORTED, "translation libraries are not offered");
    SQLRETURN result = set_special(self, attribute, number, &known);
    if (known) return result;
    const DbcAttribute *row = attribute_find(attribute);
    if (!row) { /* ODBC 2: a default of its statements */
        result = stmt_option_set(&self->base, &self->defaults, attribute, number, &known);
        if (known) return result;
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no connection attribute %d",
                          (int)attribute);
    }
    if (self->state == DBC_CONNECTED && attribute == SQL_ATTR_ODBC_CURSORS)
        return diag_error(&self->base, ERR_CONNECTION_IN_USE,
                          "the cursor library is chosen before the connection opens");
    if (self->state == DBC_CONNECTED && !row->after)
        return diag_error(&self->base, ERR_ATTRIBUTE_NOW,
                          "the attribute %d is set before the connection opens", (int)attribute);
    if (row->kind == ATTRIBUTE_POINTER)
        memcpy((char *)&self->options + row->offset, &value, sizeof value);
    else
        memcpy((char *)&self->options + row->offset, &number, sizeof number);
    return SQL_SUCCESS;
}

static void number_out(SQLPOINTER value, SQLINTEGER *length, SQLULEN number, AttributeKind kind) {
    SQLUINTEGER narrow = (SQLUINTEGER)number;
    bool is_narrow = kind == ATTRIBUTE_32;
    if (value) memcpy(value, is_narrow ? (void *)&narrow : (void *)&number, is_narrow ? 4 : 8);
    if (length) *length = is_narrow ? SQL_IS_UINTEGER : SQL_IS_POINTER;
}

void dbc_transaction_facts(Dbc *self, TransactionFacts *out) {
    Error ignored; /* a catalog whose connector cannot be loaded has no transactions */
    *out = (TransactionFacts){0};
    if (self->state != DBC_CONNECTED) return;
    if (session_transaction_facts(self->session, STR(""), out, &ignored) != TRIB_OK)
        *out = (TransactionFacts){0};
}

/* What was set, or else the level that transactions of the default catalog have. */
static SQLULEN dbc_isolation(Dbc *self) {
    TransactionFacts facts;
    if (self->options.isolation) return self->options.isolation;
    dbc_transaction_facts(self, &facts);
    return facts.default_isolation ? facts.default_isolation : SQL_TXN_READ_COMMITTED;
}

static SQLRETURN get_catalog(Dbc *self, const TextOut *text) {
    Str name = self->state == DBC_CONNECTED ? session_catalog(self->session)
                                            : str_from(self->catalog ? self->catalog : "");
    if (!name.data) name = STR("");
    return call_text_out(&self->base, text, name);
}

SQLRETURN dbc_get_attribute(Dbc *self, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER *length,
                            const TextOut *text) {
    SQLULEN number;
    switch (attribute) {
    case SQL_ATTR_CURRENT_CATALOG: return get_catalog(self, text);
    case SQL_ATTR_TRACEFILE:
    case SQL_ATTR_TRANSLATE_LIB: return call_text_out(&self->base, text, STR(""));
    case SQL_ATTR_AUTO_IPD: number_out(value, length, SQL_FALSE, ATTRIBUTE_32); return SQL_SUCCESS;
    case SQL_ATTR_ASYNC_DBC_FUNCTIONS_ENABLE:
        number_out(value, length, SQL_ASYNC_DBC_ENABLE_OFF, ATTRIBUTE_32);
        return SQL_SUCCESS;
    case SQL_ATTR_TXN_ISOLATION:
        number_out(value, length, dbc_isolation(self), ATTRIBUTE_32);
        return SQL_SUCCESS;
    case SQL_ATTR_CONNECTION_DEAD:
        number = self->state == DBC_CONNECTED && session_alive(self->session) ? SQL_CD_FALSE
                                                                              : SQL_CD_TRUE;
        number_out(value, length, number, ATTRIBUTE_32);
        return SQL_SUCCESS;
    default: break;
    }
    const DbcAttribute *row = attribute_find(attribute);
    if (row) {
        memcpy(&number, (char *)&self->options + row->offset, sizeof number);
        number_out(value, length, number, (AttributeKind)row->kind);
        return SQL_SUCCESS;
    }
    if (!stmt_option_get(&self->defaults, attribute, &number))
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no connection attribute %d",
                          (int)attribute);
    number_out(value, length, number,
               attribute == SQL_ATTR_METADATA_ID ? ATTRIBUTE_32 : ATTRIBUTE_LONG);
    return SQL_SUCCESS;
}

/* ---- the rest */

/* What the source is sent, where one takes the statement whole; else false. Nothing is run. */
static bool source_text(Dbc *self, Statement *engine, Str sql, Str *out) {
    Error err; /* a statement that cannot be explained is given back as it is */
    Buf text;
    Str sent;
    Arena *scratch = handle_scratch(&self->base);
    if (!scratch) return false;
    buf_init(&text, scratch, sql.len + 32);
    buf_text(&text, "EXPLAIN (TYPE REMOTE) ");
    buf_str(&text, sql);
    if (statement_prepare(engine, buf_view(&text), &err) != TRIB_OK ||
        statement_parameter_count(engine) > 0 || statement_execute(engine, &err) != TRIB_OK)
        return false;
    if (!statement_source_text(engine, &sent)) return false;
    char *copy = str_dup(scratch, sent);
    *out = (Str){copy, sent.len};
    return copy != NULL;
}

SQLRETURN dbc_native_sql(Dbc *self, Str sql, const TextOut *out) {
    Statement *engine;
    Error err;
    if (!sql.data)
        return diag_error(&self->base, ERR_NULL_POINTER, "the statement is a NULL pointer");
    if (statement_new(self->session, &engine, &err) != TRIB_OK)
        return diag_engine(&self->base, &err);
    Str text = sql;
    if (!source_text(self, engine, sql, &text)) text = sql; /* escapes are part of the dialect */
    statement_free(engine);
    return call_text_out(&self->base, out, text);
}

SQLRETURN dbc_functions(Dbc *self, SQLUSMALLINT id, SQLUSMALLINT *out) {
    if (!out) return diag_error(&self->base, ERR_NULL_POINTER, "the result is a NULL pointer");
    if (id != SQL_API_ODBC3_ALL_FUNCTIONS && id != SQL_API_ALL_FUNCTIONS) {
        if (id > 4999)
            return diag_error(&self->base, ERR_FUNCTION_TYPE, "there is no function %u",
                              (unsigned)id);
        *out = api_supported(id) ? SQL_TRUE : SQL_FALSE;
        return SQL_SUCCESS;
    }
    bool bitmap = id == SQL_API_ODBC3_ALL_FUNCTIONS;
    memset(out, 0, (bitmap ? SQL_API_ODBC3_ALL_FUNCTIONS_SIZE : 100) * sizeof *out);
    SQLUSMALLINT one;
    for (uint32_t i = 0; (one = api_id_at(i)) != 0; i++) {
        if (bitmap)
            out[one >> 4] |= (SQLUSMALLINT)(1u << (one & 15));
        else if (one < 100)
            out[one] = SQL_TRUE;
    }
    return SQL_SUCCESS;
}
