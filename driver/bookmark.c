/*
 * bookmark.c - see bookmark.h. Threads: under the statement's lock.
 */
#include "driver/bookmark.h"

static bool is_variable(const Stmt *stmt) {
    return stmt->options.use_bookmarks == SQL_UB_VARIABLE;
}

SQLSMALLINT bookmark_ctype(const Stmt *stmt, SQLSMALLINT ctype) {
    if (ctype == SQL_C_DEFAULT) return is_variable(stmt) ? SQL_C_VARBOOKMARK : SQL_C_UBIGINT;
    return bookmark_size(ctype) ? ctype : 0;
}

size_t bookmark_size(SQLSMALLINT ctype) {
    switch (ctype) {
    case SQL_C_DEFAULT:
    case SQL_C_UBIGINT:
    case SQL_C_SBIGINT:
    case SQL_C_VARBOOKMARK: return BOOKMARK_BYTES;
    case SQL_C_ULONG:
    case SQL_C_SLONG:
    case SQL_C_LONG: return sizeof(SQLUINTEGER);
    default: return 0;
    }
}

void bookmark_write(SQLSMALLINT ctype, uint64_t number, void *out) {
    SQLUINTEGER narrow = (SQLUINTEGER)number;
    if (bookmark_size(ctype) == sizeof narrow)
        memcpy(out, &narrow, sizeof narrow);
    else
        memcpy(out, &number, sizeof number);
}

/* Bytes from the bookmark of one row of the buffers to the next one's. */
static size_t bookmark_stride(const Stmt *stmt, const DescRecord *record, SQLSMALLINT ctype) {
    if (stmt->ard->bind_type != SQL_BIND_BY_COLUMN) return (size_t)stmt->ard->bind_type;
    return ctype == SQL_C_VARBOOKMARK ? (size_t)record->octet_length : bookmark_size(ctype);
}

void bookmarks_put(Stmt *stmt, SQLULEN row, uint32_t count) {
    const Desc *ard = stmt->ard;
    const DescRecord *record = desc_find(ard, 0);
    if (!record || !record->data) return;
    SQLSMALLINT ctype = bookmark_ctype(stmt, record->concise);
    SQLLEN size = (SQLLEN)bookmark_size(ctype);
    bool by_row = ard->bind_type != SQL_BIND_BY_COLUMN;
    SQLLEN offset = ard->bind_offset ? *ard->bind_offset : 0;
    size_t stride = bookmark_stride(stmt, record, ctype);
    size_t length_stride = by_row ? (size_t)ard->bind_type : sizeof(SQLLEN);
    bool fits = ctype != SQL_C_VARBOOKMARK || record->octet_length >= size;
    for (uint32_t i = 0; i < count; i++) {
        char *data = (char *)record->data + offset + (row + i) * stride;
        if (fits) bookmark_write(ctype, stmt->cursor.rowset_start + row + i, data);
        if (record->octet_length_ptr)
            memcpy((char *)record->octet_length_ptr + offset + (row + i) * length_stride, &size,
                   sizeof size);
    }
    if (!fits)
        diag_warning(&stmt->base, ERR_STRING_TRUNCATED, "a bookmark takes %d bytes",
                     BOOKMARK_BYTES);
}

void bookmark_put(const Stmt *stmt, SQLULEN row, uint64_t number) {
    const Desc *ard = stmt->ard;
    const DescRecord *record = desc_find(ard, 0);
    if (!record || !record->data) return;
    SQLSMALLINT ctype = bookmark_ctype(stmt, record->concise);
    SQLLEN size = number ? (SQLLEN)bookmark_size(ctype) : SQL_NULL_DATA;
    bool by_row = ard->bind_type != SQL_BIND_BY_COLUMN;
    SQLLEN offset = ard->bind_offset ? *ard->bind_offset : 0;
    size_t length_stride = by_row ? (size_t)ard->bind_type : sizeof(SQLLEN);
    if (ctype != SQL_C_VARBOOKMARK || record->octet_length >= BOOKMARK_BYTES)
        bookmark_write(ctype, number,
                       (char *)record->data + offset + row * bookmark_stride(stmt, record, ctype));
    if (record->octet_length_ptr)
        memcpy((char *)record->octet_length_ptr + offset + row * length_stride, &size, sizeof size);
}

bool bookmark_get(const Stmt *stmt, uint64_t *out) {
    if (!stmt->fetch_bookmark) return false;
    memcpy(out, stmt->fetch_bookmark, BOOKMARK_BYTES);
    return *out > 0;
}

bool bookmark_read(const Stmt *stmt, SQLULEN row, uint64_t *out) {
    const Desc *ard = stmt->ard;
    const DescRecord *record = desc_find(ard, 0);
    SQLUINTEGER narrow;
    if (!record || !record->data) return false;
    SQLSMALLINT ctype = bookmark_ctype(stmt, record->concise);
    SQLLEN offset = ard->bind_offset ? *ard->bind_offset : 0;
    const char *data =
        (const char *)record->data + offset + row * bookmark_stride(stmt, record, ctype);
    if (ctype == SQL_C_VARBOOKMARK && record->octet_length < BOOKMARK_BYTES) return false;
    if (bookmark_size(ctype) == sizeof narrow) {
        memcpy(&narrow, data, sizeof narrow);
        *out = narrow;
    } else {
        memcpy(out, data, sizeof *out);
    }
    return *out > 0;
}

SQLRETURN bookmark_data(Stmt *stmt, SQLSMALLINT ctype, SQLPOINTER data, SQLLEN capacity,
                        SQLLEN *indicator) {
    const Cursor *cursor = &stmt->cursor;
    SQLSMALLINT resolved = bookmark_ctype(stmt, ctype);
    SQLLEN size = (SQLLEN)bookmark_size(resolved);
    if (!resolved)
        return diag_error(&stmt->base, ERR_TYPE_ATTRIBUTE, "%d is no C type of a bookmark",
                          (int)ctype);
    if (resolved == SQL_C_VARBOOKMARK && capacity < size)
        return diag_error(&stmt->base, ERR_STRING_LENGTH, "a bookmark takes %d bytes",
                          BOOKMARK_BYTES);
    bookmark_write(resolved, cursor->rowset_start + cursor->current, data);
    if (indicator) memcpy(indicator, &size, sizeof size);
    return SQL_SUCCESS;
}

void bookmark_describe(const Stmt *stmt, SQLSMALLINT *type, SQLULEN *size) {
    *type = is_variable(stmt) ? SQL_BINARY : SQL_BIGINT;
    *size = is_variable(stmt) ? BOOKMARK_BYTES : 19;
}

bool bookmark_field(const Stmt *stmt, SQLUSMALLINT field, ColumnField *out) {
    SQLSMALLINT type;
    SQLULEN size;
    bookmark_describe(stmt, &type, &size);
    *out = (ColumnField){.text = STR("")};
    switch (field) {
    case SQL_DESC_TYPE:
    case SQL_DESC_CONCISE_TYPE: out->number = type; return true;
    case SQL_DESC_LENGTH:
    case SQL_COLUMN_PRECISION: out->number = (SQLLEN)size; return true;
    case SQL_DESC_OCTET_LENGTH:
    case SQL_COLUMN_LENGTH: out->number = BOOKMARK_BYTES; return true;
    case SQL_DESC_DISPLAY_SIZE: out->number = 2 * BOOKMARK_BYTES + 4; return true;
    case SQL_DESC_NULLABLE:
    case SQL_COLUMN_NULLABLE: out->number = SQL_NO_NULLS; return true;
    case SQL_DESC_SEARCHABLE: out->number = SQL_PRED_NONE; return true;
    case SQL_DESC_UNSIGNED: out->number = SQL_TRUE; return true;
    case SQL_DESC_UPDATABLE: out->number = SQL_ATTR_READONLY; return true;
    case SQL_DESC_UNNAMED: out->number = SQL_UNNAMED; return true;
    case SQL_DESC_PRECISION:
    case SQL_DESC_SCALE:
    case SQL_COLUMN_SCALE:
    case SQL_DESC_AUTO_UNIQUE_VALUE:
    case SQL_DESC_CASE_SENSITIVE:
    case SQL_DESC_FIXED_PREC_SCALE: return true;
    case SQL_DESC_NAME:
    case SQL_COLUMN_NAME:
    case SQL_DESC_LABEL:
    case SQL_DESC_BASE_COLUMN_NAME:
    case SQL_DESC_BASE_TABLE_NAME:
    case SQL_DESC_TABLE_NAME:
    case SQL_DESC_SCHEMA_NAME:
    case SQL_DESC_CATALOG_NAME:
    case SQL_DESC_TYPE_NAME:
    case SQL_DESC_LOCAL_TYPE_NAME: out->is_text = true; return true;
    default: return false;
    }
}
