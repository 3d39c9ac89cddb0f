/*
 * stmt.c - statements: life, attributes, cancelling, closing.
 *
 * Threads: under the statement's lock, except stmt_cancel, which only pins the handle, and
 * stmt_free_handle, which retires the handle under its own lock and unlinks it under the
 * connection's. Memory: the engine's statement is made when first needed; buffers of a cursor are
 * kept for the next one.
 */
#include "driver/change.h"

void stmt_options_init(StmtOptions *options) {
    memset(options, 0, sizeof *options);
    options->concurrency = SQL_CONCUR_READ_ONLY;
    options->cursor_type = SQL_CURSOR_FORWARD_ONLY;
    options->scrollable = SQL_NONSCROLLABLE;
    options->sensitivity = SQL_UNSPECIFIED;
    options->retrieve_data = SQL_RD_ON;
    options->simulate_cursor = SQL_SC_UNIQUE; /* changes go by a key */
    options->use_bookmarks = SQL_UB_OFF;
    options->metadata_id = SQL_FALSE;
    options->rowset_size = 1;
}

static Status descriptors_register(Stmt *self, Error *err) {
    const DescRole roles[] = {DESC_ARD, DESC_APD, DESC_IRD, DESC_IPD};
    Desc *descs[] = {&self->own_ard, &self->own_apd, &self->own_ird, &self->own_ipd};
    for (size_t i = 0; i < COUNT_OF(descs); i++) {
        desc_init(descs[i], roles[i], true, self, self->dbc);
        TRY(handle_register(&descs[i]->base, SQL_HANDLE_DESC, &self->base, err));
    }
    return TRIB_OK;
}

static void stmt_destroy(Stmt *self) {
    Desc *descs[] = {&self->own_ard, &self->own_apd, &self->own_ird, &self->own_ipd};
    Statement *engine = atomic_load(&self->engine);
    stmt_drop_puts(self);
    sets_drop(self);
    arena_free(self->sets.arena);
    cursor_free(&self->cursor);
    stmt_drop_cursor_name(self);
    change_free(self);
    if (engine) statement_free(engine);
    for (size_t i = 0; i < COUNT_OF(descs); i++) {
        desc_clear(descs[i]);
        if (descs[i]->base.slot) handle_release(&descs[i]->base);
    }
    arena_free(self->execution);
    heap_free(self->row_status);
    if (self->base.slot) handle_release(&self->base);
    heap_free(self);
}

static void stmt_retire(Stmt *self) {
    Desc *descs[] = {&self->own_ard, &self->own_apd, &self->own_ird, &self->own_ipd};
    for (size_t i = 0; i < COUNT_OF(descs); i++) handle_retire(&descs[i]->base);
    handle_retire(&self->base);
}

static void stmt_publish(Stmt *self) {
    Desc *descs[] = {&self->own_ard, &self->own_apd, &self->own_ird, &self->own_ipd};
    for (size_t i = 0; i < COUNT_OF(descs); i++) handle_publish(&descs[i]->base);
    handle_publish(&self->base);
}

SQLRETURN stmt_new(Dbc *dbc, SQLHANDLE *out) {
    Error err;
    *out = SQL_NULL_HSTMT;
    if (dbc->state != DBC_CONNECTED)
        return diag_error(&dbc->base, ERR_CONNECTION_NOT_OPEN, "the connection is not open");
    Stmt *self = heap_alloc(sizeof *self);
    if (!self) return diag_no_memory(&dbc->base);
    self->dbc = dbc;
    self->options = dbc->defaults;
    self->ard = &self->own_ard;
    self->apd = &self->own_apd;
    self->ird = &self->own_ird;
    self->ipd = &self->own_ipd;
    self->row_count = -1;
    Status status = handle_register(&self->base, SQL_HANDLE_STMT, NULL, &err);
    if (status == TRIB_OK) status = descriptors_register(self, &err);
    if (status != TRIB_OK) {
        stmt_destroy(self);
        return diag_engine(&dbc->base, &err);
    }
    self->next = dbc->stmts;
    if (dbc->stmts) dbc->stmts->previous = self;
    dbc->stmts = self;
    *out = self->base.id;
    stmt_publish(self);
    return SQL_SUCCESS;
}

static void stmt_unlink(Dbc *dbc, Stmt *self) {
    if (self->previous)
        self->previous->next = self->next;
    else
        dbc->stmts = self->next;
    if (self->next) self->next->previous = self->previous;
}

SQLRETURN stmt_free_handle(SQLHANDLE handle) {
    Call call;
    if (!call_enter(&call, API_SQLFreeHandle, SQL_HANDLE_STMT, handle)) return call.result;
    Stmt *self = call.stmt;
    if (self->state >= STMT_NEED_DATA)
        return call_leave(
            &call, diag_error(&self->base, ERR_SEQUENCE, "the statement is still executing"));
    SQLHANDLE dbc_id = self->dbc->base.id, own_id = self->base.id;
    stmt_retire(self);
    handle_unlock(&self->base);
    Dbc *dbc = (Dbc *)handle_lock(dbc_id, SQL_HANDLE_DBC);
    if (!dbc)
        return call_leave_freed(&call, SQL_SUCCESS); /* SQLDisconnect was first and freed it */
    Stmt *found = dbc->stmts;
    while (found && (found != self || found->base.id != own_id)) found = found->next;
    if (found) {
        stmt_unlink(dbc, found);
        stmt_destroy(found);
    }
    handle_unlock(&dbc->base);
    return call_leave_freed(&call, SQL_SUCCESS);
}

void stmt_free_all(Dbc *dbc) {
    while (dbc->stmts) {
        Stmt *self = dbc->stmts;
        if (handle_lock(self->base.id,
                        SQL_HANDLE_STMT)) { /* else retired by a thread that waits for us */
            stmt_retire(self);
            handle_unlock(&self->base);
        }
        stmt_unlink(dbc, self);
        stmt_destroy(self);
    }
    while (dbc->descs) {
        Desc *desc = dbc->descs;
        dbc->descs = desc->next;
        if (handle_lock(desc->base.id, SQL_HANDLE_DESC)) {
            handle_retire(&desc->base);
            handle_unlock(&desc->base);
        }
        desc_clear(desc);
        handle_release(&desc->base);
        heap_free(desc);
    }
}

/* ---- cancelling */

/* Nothing executes: a statement that waits for data gives up. A cursor stays open (since version 3.5), but
 * unixODBC takes it for closed then: what executes next closes it instead of being refused. A thread
 * beside the one that fetches cannot know that it came between two calls: the next rows are cancelled. */
static void cancel_idle(Stmt *self) {
    if (self->state >= STMT_CURSOR && self->state < STMT_NEED_DATA) {
        self->cursor.disowned = true;
        bool other = !pthread_equal(self->caller, pthread_self());
        if (other) atomic_store(&self->cancel_lasts, true);
        if (other) atomic_store(&self->cancel_wanted, true);
    }
    if (self->state < STMT_NEED_DATA || self->state > STMT_CAN_PUT) return;
    bool direct = self->slot.direct;
    stmt_drop_puts(self);
    sets_drop(self);
    self->slot = (CallSlot){0};
    if (direct)
        stmt_forget(self);
    else
        self->state = self->state_before;
}

/* The call may be between two requests to the engine, or before its first: the wish stays until the
 * next call; and while a cursor is open if it is another thread's, which does not see whether it met a
 * call that makes rows or one that hands them out. */
static void cancel_call(Stmt *self) {
    atomic_store(&self->cancel_wanted, true);
    Statement *engine = atomic_load(&self->engine);
    if (engine) statement_cancel(engine);
    change_cancel(self);
}

SQLRETURN stmt_cancel(SQLHANDLE handle) {
    Handle *pinned = handle_pin(handle, SQL_HANDLE_STMT);
    SQLRETURN result = SQL_SUCCESS;
    if (!pinned) {
        result = handle_foreign(handle, SQL_HANDLE_STMT) ? SQL_ERROR : SQL_INVALID_HANDLE;
    } else {
        Stmt *self = (Stmt *)pinned;
        if (handle_try_lock(pinned)) {
            if (self->state == STMT_EXECUTING)
                cancel_call(self);
            else
                cancel_idle(self);
            handle_unlock(pinned);
        } else {
            atomic_store(&self->cancel_lasts, true);
            cancel_call(self);
        }
        handle_unpin(pinned);
    }
    call_trace(API_SQLCancel, handle, result);
    return result;
}

/* ---- closing */

static void apply_timeout(Stmt *self, Statement *engine) {
    int64_t wanted = (int64_t)self->options.query_timeout;
    if (wanted == self->timeout_set) return;
    statement_set_timeout(engine, wanted);
    self->timeout_set = wanted;
}

static Statement *engine_new(Stmt *self) {
    Statement *engine;
    Error err;
    if (statement_new(self->dbc->session, &engine, &err) != TRIB_OK) {
        (void)diag_engine(&self->base, &err);
        return NULL;
    }
    statement_set_warning_sink(engine, handle_warning_sink, &self->base);
    statement_watch_cancel(engine, &self->cancel_wanted);
    atomic_store(&self->engine, engine);
    return engine;
}

Statement *stmt_engine(Stmt *self) {
    Statement *engine = atomic_load_explicit(&self->engine, memory_order_relaxed);
    if (!engine) engine = engine_new(self);
    if (engine) apply_timeout(self, engine);
    return engine;
}

static void cursor_close(Stmt *self) {
    if (self->cursor.rows) {
        listing_free(self->cursor.rows);
        self->cursor.rows = NULL;
    } else if (self->cursor.open) {
        statement_close(atomic_load(&self->engine));
    }
    cursor_reset(&self->cursor);
}

SQLRETURN stmt_close_cursor(Stmt *self) {
    cursor_close(self);
    sets_drop(self);
    self->row_count = -1;
    if (!self->prepared) {
        self->state = STMT_ALLOCATED;
        self->has_result = false;
    } else {
        self->state = self->has_result ? STMT_PREPARED_CURSOR : STMT_PREPARED;
    }
    return SQL_SUCCESS;
}

void stmt_forget(Stmt *self) {
    cursor_close(self);
    sets_drop(self);
    change_forget(self);
    self->positioned = (Positioned){0};
    self->prepared = self->has_result = false;
    self->row_count = -1;
    self->state = STMT_ALLOCATED;
}

SQLRETURN stmt_free_option(Stmt *self, SQLUSMALLINT option) {
    switch (option) {
    case SQL_CLOSE: return self->state >= STMT_EXECUTED ? stmt_close_cursor(self) : SQL_SUCCESS;
    case SQL_UNBIND: desc_unbind_all(self->ard); return SQL_SUCCESS;
    case SQL_RESET_PARAMS:
        desc_unbind_all(self->apd);
        desc_unbind_all(self->ipd);
        return SQL_SUCCESS;
    default:
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no option %u of SQLFreeStmt",
                          (unsigned)option);
    }
}

uint32_t stmt_column_count(const Stmt *self) {
    if (self->cursor.rows) return listing_column_count(self->cursor.rows);
    return self->has_result ? statement_column_count(atomic_load(&self->engine)) : 0;
}

const ColumnInfo *stmt_column(const Stmt *self, uint32_t index) {
    if (self->cursor.rows) return listing_column(self->cursor.rows, index);
    return statement_column(atomic_load(&self->engine), index);
}

/* ---- attributes that have no place in a descriptor */

typedef struct OptionRow {
    SQLINTEGER id;
    uint16_t offset;    /* in StmtOptions */
    uint8_t low, high;  /* values, when high > 0 */
    uint8_t only;       /* + 1: anything else is answered with this and 01S02; 0: any */
    bool shapes_cursor; /* not while prepared or open */
} OptionRow;

#define OPTION(member) offsetof(StmtOptions, member)
#define ONLY(value)    ((value) + 1)

static const OptionRow option_rows[] = {
    {SQL_ATTR_ASYNC_ENABLE, OPTION(async_enable), SQL_ASYNC_ENABLE_OFF, SQL_ASYNC_ENABLE_ON, 0,
     false},
    {SQL_ATTR_CONCURRENCY, OPTION(concurrency), SQL_CONCUR_READ_ONLY, SQL_CONCUR_VALUES, 0, true},
    {SQL_ATTR_CURSOR_TYPE, OPTION(cursor_type), 0, SQL_CURSOR_STATIC, 0, true},
    {SQL_ATTR_CURSOR_SCROLLABLE, OPTION(scrollable), 0, SQL_SCROLLABLE, 0, true},
    {SQL_ATTR_CURSOR_SENSITIVITY, OPTION(sensitivity), 0, SQL_SENSITIVE, 0, true},
    {SQL_ATTR_ENABLE_AUTO_IPD, OPTION(enable_auto_ipd), 0, 1, ONLY(SQL_FALSE), false},
    {SQL_ATTR_KEYSET_SIZE, OPTION(keyset_size), 0, 0, 0, false},
    {SQL_ATTR_MAX_LENGTH, OPTION(max_length), 0, 0, 0, false},
    {SQL_ATTR_MAX_ROWS, OPTION(max_rows), 0, 0, 0, false},
    {SQL_ATTR_METADATA_ID, OPTION(metadata_id), 0, 1, 0, false},
    {SQL_ATTR_NOSCAN, OPTION(noscan), 0, 1, 0, false},
    {SQL_ATTR_QUERY_TIMEOUT, OPTION(query_timeout), 0, 0, 0, false},
    {SQL_ATTR_RETRIEVE_DATA, OPTION(retrieve_data), 0, 1, 0, false},
    {SQL_ATTR_SIMULATE_CURSOR, OPTION(simulate_cursor), 0, SQL_SC_UNIQUE, ONLY(SQL_SC_UNIQUE),
     true},
    {SQL_ATTR_USE_BOOKMARKS, OPTION(use_bookmarks), 0, SQL_UB_VARIABLE, 0, true},
    {SQL_ROWSET_SIZE, OPTION(rowset_size), 0, 0, 0, false},
};

static const OptionRow *option_find(SQLINTEGER id) {
    for (size_t i = 0; i < COUNT_OF(option_rows); i++)
        if (option_rows[i].id == id) return &option_rows[i];
    return NULL;
}

/* Cursors are static or forward-only; the other kinds are answered with a static one. Writes through them compare
 * values: there are no row versions to compare, and rows are not locked. What is static and written to is
 * neither sensitive nor insensitive: it shows its own changes. */
static bool cursor_option_offered(const StmtOptions *options, SQLINTEGER attribute,
                                  SQLULEN *value) {
    SQLULEN asked = *value;
    switch (attribute) {
    case SQL_ATTR_CURSOR_TYPE:
        if (asked == SQL_CURSOR_KEYSET_DRIVEN || asked == SQL_CURSOR_DYNAMIC)
            *value = SQL_CURSOR_STATIC;
        break;
    case SQL_ATTR_CURSOR_SENSITIVITY:
        if (asked == SQL_SENSITIVE)
            *value =
                options->concurrency == SQL_CONCUR_READ_ONLY ? SQL_INSENSITIVE : SQL_UNSPECIFIED;
        break;
    case SQL_ATTR_CONCURRENCY:
        if (asked == SQL_CONCUR_LOCK || asked == SQL_CONCUR_ROWVER) *value = SQL_CONCUR_VALUES;
        break;
    default: break;
    }
    return *value == asked;
}

/* The attributes that say what a cursor can do agree. */
static void cursor_options_couple(StmtOptions *options, SQLINTEGER attribute) {
    bool scrolls = options->cursor_type == SQL_CURSOR_STATIC;
    switch (attribute) {
    case SQL_ATTR_CONCURRENCY:
    case SQL_ATTR_CURSOR_TYPE: break;
    case SQL_ATTR_CURSOR_SCROLLABLE: scrolls = options->scrollable == SQL_SCROLLABLE; break;
    case SQL_ATTR_CURSOR_SENSITIVITY:
        if (options->sensitivity == SQL_UNSPECIFIED) return;
        scrolls = true;
        options->concurrency = SQL_CONCUR_READ_ONLY;
        break;
    default: return;
    }
    options->cursor_type = scrolls ? SQL_CURSOR_STATIC : SQL_CURSOR_FORWARD_ONLY;
    options->scrollable = scrolls ? SQL_SCROLLABLE : SQL_NONSCROLLABLE;
    bool frozen = scrolls && options->concurrency == SQL_CONCUR_READ_ONLY;
    options->sensitivity = frozen ? SQL_INSENSITIVE : SQL_UNSPECIFIED;
}

SQLRETURN stmt_option_set(Handle *poster, StmtOptions *options, SQLINTEGER attribute, SQLULEN value,
                          bool *known) {
    const OptionRow *row = option_find(attribute);
    *known = row != NULL;
    if (!row) return SQL_SUCCESS;
    if ((row->high > 0 && (value < row->low || value > row->high)) ||
        (attribute == SQL_ROWSET_SIZE && value == 0))
        return diag_error(poster, ERR_ATTRIBUTE_VALUE, "%llu is no value of the attribute %d",
                          (unsigned long long)value, (int)attribute);
    bool offered = cursor_option_offered(options, attribute, &value);
    if (row->only && value != (SQLULEN)row->only - 1) {
        value = row->only - 1u;
        offered = false;
    }
    if (!offered)
        diag_warning(poster, ERR_OPTION_CHANGED,
                     "the value of the attribute %d is not offered; %llu was set", (int)attribute,
                     (unsigned long long)value);
    memcpy((char *)options + row->offset, &value, sizeof value);
    cursor_options_couple(options, attribute);
    return SQL_SUCCESS;
}

bool stmt_option_get(const StmtOptions *options, SQLINTEGER attribute, SQLULEN *value) {
    const OptionRow *row = option_find(attribute);
    if (!row) return false;
    memcpy(value, (const char *)options + row->offset, sizeof *value);
    return true;
}

/* ---- attributes that are header fields of descriptors */

typedef struct HeaderRow {
    SQLINTEGER id;
    uint8_t desc; /* 0 ARD, 1 APD, 2 IRD, 3 IPD */
    SQLSMALLINT field;
} HeaderRow;

static const HeaderRow header_rows[] = {
    {SQL_ATTR_ROW_ARRAY_SIZE, 0, SQL_DESC_ARRAY_SIZE},
    {SQL_ATTR_ROW_BIND_TYPE, 0, SQL_DESC_BIND_TYPE},
    {SQL_ATTR_ROW_BIND_OFFSET_PTR, 0, SQL_DESC_BIND_OFFSET_PTR},
    {SQL_ATTR_ROW_OPERATION_PTR, 0, SQL_DESC_ARRAY_STATUS_PTR},
    {SQL_ATTR_ROW_STATUS_PTR, 2, SQL_DESC_ARRAY_STATUS_PTR},
    {SQL_ATTR_ROWS_FETCHED_PTR, 2, SQL_DESC_ROWS_PROCESSED_PTR},
    {SQL_ATTR_PARAMSET_SIZE, 1, SQL_DESC_ARRAY_SIZE},
    {SQL_ATTR_PARAM_BIND_TYPE, 1, SQL_DESC_BIND_TYPE},
    {SQL_ATTR_PARAM_BIND_OFFSET_PTR, 1, SQL_DESC_BIND_OFFSET_PTR},
    {SQL_ATTR_PARAM_OPERATION_PTR, 1, SQL_DESC_ARRAY_STATUS_PTR},
    {SQL_ATTR_PARAM_STATUS_PTR, 3, SQL_DESC_ARRAY_STATUS_PTR},
    {SQL_ATTR_PARAMS_PROCESSED_PTR, 3, SQL_DESC_ROWS_PROCESSED_PTR},
};

static Desc *header_desc(Stmt *self, const HeaderRow *row) {
    Desc *descs[] = {self->ard, self->apd, self->ird, self->ipd};
    return descs[row->desc];
}

static const HeaderRow *header_find(SQLINTEGER id) {
    for (size_t i = 0; i < COUNT_OF(header_rows); i++)
        if (header_rows[i].id == id) return &header_rows[i];
    return NULL;
}

/* Header fields are plain stores; the descriptor's own checks post to its handle, so the one check
 * that there is (a positive size) is made here. */
static SQLRETURN header_store(Stmt *self, const HeaderRow *row, SQLPOINTER value) {
    SQLULEN number = (SQLULEN)(uintptr_t)value;
    if (row->field == SQL_DESC_ARRAY_SIZE && (number == 0 || number > INT32_MAX))
        return diag_error(&self->base, ERR_ATTRIBUTE_VALUE, "%llu is no size of an array",
                          (unsigned long long)number);
    Desc *desc = header_desc(self, row);
    bool locked = !desc->automatic && handle_lock(desc->base.id, SQL_HANDLE_DESC);
    SQLRETURN result = desc_set_field(desc, 0, row->field, value, (Str){NULL, 0});
    if (locked) handle_unlock(&desc->base);
    return result;
}

static SQLRETURN descriptor_set(Stmt *self, SQLINTEGER attribute, SQLPOINTER value) {
    bool row = attribute == SQL_ATTR_APP_ROW_DESC;
    Desc **place = row ? &self->ard : &self->apd;
    Desc *own = row ? &self->own_ard : &self->own_apd;
    if (value == SQL_NULL_HDESC || value == own->base.id) {
        *place = own;
        self->cursor.plan_valid = false;
        return SQL_SUCCESS;
    }
    if (value == self->own_ard.base.id || value == self->own_apd.base.id ||
        value == self->own_ird.base.id || value == self->own_ipd.base.id)
        return diag_error(&self->base, ERR_DESCRIPTOR_AUTO,
                          "an implicit descriptor serves its own purpose only");
    if (handle_kind(value) == SQL_HANDLE_DESC &&
        handle_shares_lock(value)) /* never two statements' locks */
        return diag_error(&self->base, ERR_DESCRIPTOR_AUTO,
                          "the descriptor belongs to another statement");
    Handle *locked =
        handle_kind(value) == SQL_HANDLE_DESC ? handle_lock(value, SQL_HANDLE_DESC) : NULL;
    if (!locked) return diag_error(&self->base, ERR_ATTRIBUTE_VALUE, "the value is no descriptor");
    Desc *desc = (Desc *)locked;
    SQLRETURN result = SQL_SUCCESS;
    if (desc->dbc != self->dbc)
        result = diag_error(&self->base, ERR_ATTRIBUTE_VALUE,
                            "the descriptor belongs to another connection");
    else
        *place = desc;
    handle_unlock(locked);
    self->cursor.plan_valid = false;
    return result;
}

/* While data is awaited nothing may be set; what shapes the cursor of a prepared statement never again. */
static SQLRETURN attribute_awaits_data(Stmt *self, SQLINTEGER attribute) {
    const OptionRow *row = option_find(attribute);
    if (row && row->shapes_cursor && self->prepared)
        return diag_error(&self->base, ERR_ATTRIBUTE_NOW, "the statement is already prepared");
    return diag_error(&self->base, ERR_SEQUENCE, "the statement waits for data of its parameters");
}

SQLRETURN stmt_set_attribute(Stmt *self, SQLINTEGER attribute, SQLPOINTER value) {
    const HeaderRow *header = header_find(attribute);
    if (self->state >= STMT_NEED_DATA) return attribute_awaits_data(self, attribute);
    if (header) return header_store(self, header, value);
    switch (attribute) {
    case SQL_ATTR_APP_ROW_DESC:
    case SQL_ATTR_APP_PARAM_DESC: return descriptor_set(self, attribute, value);
    case SQL_ATTR_IMP_ROW_DESC:
    case SQL_ATTR_IMP_PARAM_DESC:
        return diag_error(&self->base, ERR_DESCRIPTOR_AUTO,
                          "implementation descriptors cannot be replaced");
    case SQL_ATTR_ROW_NUMBER:
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "the attribute %d can only be read",
                          (int)attribute);
    case SQL_ATTR_FETCH_BOOKMARK_PTR: self->fetch_bookmark = value; return SQL_SUCCESS;
    default: break;
    }
    const OptionRow *row = option_find(attribute);
    if (row && row->shapes_cursor && self->state >= STMT_EXECUTED)
        return diag_error(&self->base, ERR_CURSOR_STATE,
                          "the statement has a result; close it first");
    if (row && row->shapes_cursor && self->prepared)
        return diag_error(&self->base, ERR_ATTRIBUTE_NOW, "the statement is already prepared");
    bool known;
    SQLRETURN result =
        stmt_option_set(&self->base, &self->options, attribute, (SQLULEN)(uintptr_t)value, &known);
    if (known) return result;
    return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no statement attribute %d",
                      (int)attribute);
}

SQLRETURN stmt_get_attribute(Stmt *self, SQLINTEGER attribute, SQLPOINTER value,
                             SQLINTEGER *length) {
    SQLULEN number;
    const HeaderRow *header = header_find(attribute);
    if (header) {
        Desc *desc = header_desc(self, header);
        const void *places[] = {&desc->array_size, &desc->bind_type, &desc->bind_offset,
                                &desc->array_status, &desc->rows_processed};
        const SQLSMALLINT fields[] = {SQL_DESC_ARRAY_SIZE, SQL_DESC_BIND_TYPE,
                                      SQL_DESC_BIND_OFFSET_PTR, SQL_DESC_ARRAY_STATUS_PTR,
                                      SQL_DESC_ROWS_PROCESSED_PTR};
        number = 0;
        for (size_t i = 0; i < COUNT_OF(fields); i++)
            if (fields[i] == header->field) memcpy(&number, places[i], sizeof number);
    } else if (attribute == SQL_ATTR_APP_ROW_DESC) {
        number = (SQLULEN)(uintptr_t)self->ard->base.id;
    } else if (attribute == SQL_ATTR_APP_PARAM_DESC) {
        number = (SQLULEN)(uintptr_t)self->apd->base.id;
    } else if (attribute == SQL_ATTR_IMP_ROW_DESC) {
        number = (SQLULEN)(uintptr_t)self->ird->base.id;
    } else if (attribute == SQL_ATTR_IMP_PARAM_DESC) {
        number = (SQLULEN)(uintptr_t)self->ipd->base.id;
    } else if (attribute == SQL_ATTR_ROW_NUMBER) {
        if (self->state != STMT_FETCHED && self->state != STMT_EXTENDED)
            return diag_error(&self->base, ERR_CURSOR_STATE, "the cursor is not on a row");
        number = (SQLULEN)(self->cursor.rowset_start + self->cursor.current);
    } else if (attribute == SQL_ATTR_FETCH_BOOKMARK_PTR) {
        number = (SQLULEN)(uintptr_t)self->fetch_bookmark;
    } else if (!stmt_option_get(&self->options, attribute, &number)) {
        return diag_error(&self->base, ERR_ATTRIBUTE_ID, "there is no statement attribute %d",
                          (int)attribute);
    }
    /* 01S02 of the execution: while this cursor is open */
    if (attribute == SQL_ATTR_CONCURRENCY && self->cursor.open && !change_offered(self, NULL))
        number = SQL_CONCUR_READ_ONLY;
    if (value) memcpy(value, &number, sizeof number);
    if (length) *length = SQL_IS_UINTEGER;
    return SQL_SUCCESS;
}
