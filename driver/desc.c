/*
 * desc.c - descriptors: records, types, consistency, copying.
 *
 * Memory: records on the heap, growing to the highest number used. Threads: under the lock of the
 * descriptor (implicit ones: of the statement).
 */
#include "driver/desc.h"

#include "driver/stmt.h"

void desc_init(Desc *self, DescRole role, bool automatic, Stmt *stmt, Dbc *dbc) {
    self->role = role;
    self->automatic = automatic;
    self->stmt = stmt;
    self->dbc = dbc;
    self->array_size = 1;
    self->bind_type = SQL_BIND_BY_COLUMN;
}

static void records_clear(Desc *self) {
    for (uint32_t i = 0; i < self->capacity; i++) heap_free(self->records[i].name);
    heap_free(self->records);
    self->records = NULL;
    self->capacity = 0;
    self->count = 0;
    self->version++;
}

void desc_clear(Desc *self) {
    records_clear(self);
}

static void record_init(DescRecord *record) {
    memset(record, 0, sizeof *record);
    record->type = record->concise = SQL_C_DEFAULT;
    record->parameter_type = SQL_PARAM_INPUT;
    record->unnamed = SQL_UNNAMED;
}

DescRecord *desc_record(Desc *self, SQLSMALLINT number) {
    uint32_t needed = (uint32_t)number + 1;
    if (needed > self->capacity) {
        uint32_t capacity = self->capacity ? self->capacity : 16;
        while (capacity < needed) capacity *= 2;
        DescRecord *records = heap_resize(self->records, capacity * sizeof *records);
        if (!records) return NULL;
        for (uint32_t i = self->capacity; i < capacity; i++) record_init(&records[i]);
        self->records = records;
        self->capacity = capacity;
    }
    if (number > self->count) self->count = number;
    self->version++;
    return &self->records[number];
}

void desc_trim(Desc *self) {
    while (self->count > 0 && !self->records[self->count].data) self->count--;
    self->version++;
}

void desc_unbind_all(Desc *self) {
    records_clear(self);
}

/* ---- explicit descriptors */

SQLRETURN desc_new(Dbc *dbc, SQLHANDLE *out) {
    Error err;
    *out = SQL_NULL_HDESC;
    Desc *self = heap_alloc(sizeof *self);
    if (!self) return diag_no_memory(&dbc->base);
    desc_init(self, DESC_APP, false, NULL, dbc);
    if (handle_register(&self->base, SQL_HANDLE_DESC, NULL, &err) != TRIB_OK) {
        heap_free(self);
        return diag_engine(&dbc->base, &err);
    }
    self->next = dbc->descs;
    dbc->descs = self;
    *out = self->base.id;
    handle_publish(&self->base);
    return SQL_SUCCESS;
}

/* Statements that use the descriptor go back to their own. Under the connection's lock. */
static void desc_detach(Dbc *dbc, const Desc *self) {
    for (Stmt *stmt = dbc->stmts; stmt; stmt = stmt->next) {
        if (!handle_lock(stmt->base.id, SQL_HANDLE_STMT)) continue;
        if (stmt->ard == self) stmt->ard = &stmt->own_ard;
        if (stmt->apd == self) stmt->apd = &stmt->own_apd;
        stmt->cursor.plan_valid = false;
        handle_unlock(&stmt->base);
    }
}

SQLRETURN desc_free_handle(SQLHANDLE handle) {
    Call call;
    if (!call_enter(&call, API_SQLFreeHandle, SQL_HANDLE_DESC, handle)) return call.result;
    Desc *self = call.desc;
    if (self->automatic)
        return call_leave(&call, diag_error(&self->base, ERR_DESCRIPTOR_AUTO,
                                            "the descriptor belongs to its statement"));
    SQLHANDLE dbc_id = self->dbc->base.id, own_id = self->base.id;
    handle_retire(&self->base);
    handle_unlock(&self->base);
    Dbc *dbc = (Dbc *)handle_lock(dbc_id, SQL_HANDLE_DBC);
    if (!dbc)
        return call_leave_freed(&call, SQL_SUCCESS); /* SQLDisconnect was first and freed it */
    Desc **place = &dbc->descs;
    while (*place && (*place != self || (*place)->base.id != own_id)) place = &(*place)->next;
    bool mine = *place != NULL;
    if (mine) {
        *place = self->next;
        desc_detach(dbc, self);
    }
    handle_unlock(&dbc->base);
    if (mine) {
        desc_clear(self);
        handle_release(&self->base);
        heap_free(self);
    }
    return call_leave_freed(&call, SQL_SUCCESS);
}

/* ---- types */

static void record_type_defaults(DescRecord *record) {
    record->scale_set = record->leading_set = false;
    record->precision = record->scale = 0;
    switch (record->type) {
    case SQL_CHAR:
    case SQL_VARCHAR:
    case SQL_WCHAR:
    case SQL_WVARCHAR: record->length = 1; break;
    case SQL_DATETIME:
        if (record->datetime_code == SQL_CODE_TIMESTAMP) record->precision = 6;
        break;
    case SQL_INTERVAL:
        record->datetime_precision = 2;
        if (record->concise == SQL_INTERVAL_SECOND ||
            record->concise == SQL_INTERVAL_DAY_TO_SECOND ||
            record->concise == SQL_INTERVAL_HOUR_TO_SECOND ||
            record->concise == SQL_INTERVAL_MINUTE_TO_SECOND)
            record->precision = 6;
        break;
    case SQL_NUMERIC:
    case SQL_DECIMAL: record->precision = DECIMAL_MAX_DIGITS; break;
    case SQL_REAL: record->precision = 24; break;
    case SQL_FLOAT:
    case SQL_DOUBLE: record->precision = 53; break;
    default: break;
    }
}

static bool is_c_only(SQLSMALLINT concise) {
    return concise == SQL_C_DEFAULT || concise == SQL_ARD_TYPE || ctype_valid(concise);
}

bool desc_set_concise(Desc *self, DescRecord *record, SQLSMALLINT concise) {
    SQLSMALLINT verbose, code;
    bool is_sql;
    if (self->role == DESC_IPD) concise = sqltype_modern(concise);
    is_sql = sqltype_split(concise, &verbose, &code);
    if (self->role == DESC_IPD ? !is_sql : !is_c_only(concise)) return false;
    record->concise = concise;
    record->type = is_sql ? verbose : concise;
    record->datetime_code = is_sql ? code : 0;
    record_type_defaults(record);
    self->version++;
    return true;
}

bool desc_consistent(const Desc *self, const DescRecord *record) {
    if (self->role == DESC_IPD) {
        SQLSMALLINT verbose, code;
        if (!sqltype_split(record->concise, &verbose, &code)) return false;
    } else if (!is_c_only(record->concise)) {
        return false;
    }
    if (record->type == SQL_DATETIME || record->type == SQL_INTERVAL)
        if (sqltype_join(record->type, record->datetime_code) != record->concise) return false;
    if (record->type == SQL_NUMERIC || record->type == SQL_DECIMAL)
        return record->precision >= 0 && record->precision <= DECIMAL_MAX_DIGITS &&
               record->scale <= record->precision;
    if (record->type == SQL_DATETIME) return record->precision >= 0 && record->precision <= 9;
    return true;
}

/* ---- copying */

static bool records_copy(Desc *to, const Desc *from) {
    records_clear(to);
    if (from->count == 0 && from->capacity == 0) return true;
    if (!desc_record(to, from->count)) return false;
    for (SQLSMALLINT i = 0; i <= from->count; i++) {
        to->records[i] = from->records[i];
        to->records[i].name = NULL;
        const char *name = from->records[i].name;
        if (!name) continue;
        size_t length = strlen(name);
        if (!(to->records[i].name = heap_alloc(length + 1))) return false;
        memcpy(to->records[i].name, name, length);
    }
    return true;
}

/* The computed records of an IRD as real ones. */
static bool records_from_columns(Desc *to, const Desc *ird) {
    Stmt *stmt = ird->stmt;
    uint32_t count = stmt_column_count(stmt);
    records_clear(to);
    if (count > DESC_MAX_RECORDS) count = DESC_MAX_RECORDS;
    if (!desc_record(to, (SQLSMALLINT)count)) return false;
    SizeDefaults sizes = stmt->dbc->sizes;
    for (uint32_t i = 0; i < count; i++) {
        DescRecord *record = &to->records[i + 1];
        SqlType type;
        sqltype_of(stmt_column(stmt, i)->type, &sizes, &type);
        record->concise = type.concise;
        record->type = type.verbose;
        record->datetime_code = type.subcode;
        record->precision = type.precision;
        record->scale = type.scale;
        record->length = type.size;
        record->octet_length = type.octets;
        record->radix = type.radix;
        record->datetime_precision = type.interval_precision;
    }
    return true;
}

SQLRETURN desc_copy(SQLHANDLE source, SQLHANDLE target) {
    Call call;
    Desc copy; /* a snapshot, so that no two descriptors are locked at once */
    memset(&copy, 0, sizeof copy);
    if (!call_enter(&call, API_SQLCopyDesc, SQL_HANDLE_DESC, source)) return call.result;
    const Desc *from = call.desc;
    bool described = from->role != DESC_IRD || stmt_column_count(from->stmt) > 0;
    bool complete =
        from->role == DESC_IRD ? records_from_columns(&copy, from) : records_copy(&copy, from);
    copy.array_size = from->array_size;
    copy.bind_type = from->bind_type;
    copy.array_status = from->array_status;
    copy.bind_offset = from->bind_offset;
    copy.rows_processed = from->rows_processed;
    (void)call_leave(&call, SQL_SUCCESS);
    if (!call_enter(&call, API_SQLCopyDesc, SQL_HANDLE_DESC, target)) {
        desc_clear(&copy);
        return call.result;
    }
    Desc *to = call.desc;
    SQLRETURN result = SQL_SUCCESS;
    if (to->role == DESC_IRD)
        result = diag_error(&to->base, ERR_IRD_MODIFIED, "a result's descriptor cannot be written");
    else if (!described)
        result = diag_error(&to->base, ERR_NOT_PREPARED, "the statement is not prepared");
    else if (!complete || !records_copy(to, &copy))
        result = diag_no_memory(&to->base);
    if (result == SQL_SUCCESS) {
        to->array_size = copy.array_size ? copy.array_size : 1;
        to->bind_type = copy.bind_type;
        to->array_status = copy.array_status;
        to->bind_offset = copy.bind_offset;
        to->rows_processed = copy.rows_processed;
    }
    desc_clear(&copy);
    return call_leave(&call, result);
}
