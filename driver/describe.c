/*
 * describe.c - what a result looks like: SQLNumResultCols, SQLDescribeCol, SQLColAttribute.
 *
 * The fields of a column are computed from the engine's description each time they are asked for, so
 * that a result of ten thousand columns costs nothing until it is looked at.
 */
#include "driver/bookmark.h"

SQLRETURN stmt_num_result_cols(Stmt *self, SQLSMALLINT *out) {
    if (!out) return diag_error(&self->base, ERR_NULL_POINTER, "the result is a NULL pointer");
    uint32_t count = stmt_column_count(self);
    *out = count > INT16_MAX ? INT16_MAX : (SQLSMALLINT)count;
    return SQL_SUCCESS;
}

static void column_type(const Stmt *self, const ColumnInfo *column, SqlType *out) {
    SizeDefaults sizes = self->dbc->sizes;
    sqltype_of(column->type, &sizes, out);
}

static bool is_bookmark(const Stmt *self, SQLUSMALLINT number) {
    return number == 0 && self->options.use_bookmarks != SQL_UB_OFF;
}

static SQLRETURN describe_bookmark(Stmt *self, const DescribeOut *out) {
    SQLSMALLINT type;
    SQLULEN size;
    bookmark_describe(self, &type, &size);
    if (out->type) *out->type = type;
    if (out->size) *out->size = size;
    if (out->digits) *out->digits = 0;
    if (out->nullable) *out->nullable = SQL_NO_NULLS;
    return call_text_out(&self->base, out->name, STR(""));
}

SQLRETURN stmt_describe_col(Stmt *self, SQLUSMALLINT number, const DescribeOut *out) {
    uint32_t count = stmt_column_count(self);
    if (count == 0)
        return diag_error(&self->base, ERR_NOT_A_CURSOR, "the statement returns no rows");
    if (is_bookmark(self, number)) return describe_bookmark(self, out);
    if (number == 0 || number > count)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "column %u of %u does not exist",
                          (unsigned)number, (unsigned)count);
    const ColumnInfo *column = stmt_column(self, number - 1u);
    SqlType type;
    column_type(self, column, &type);
    if (out->type) *out->type = sqltype_code(type.concise, stmt_odbc2(self));
    if (out->size) *out->size = type.size;
    if (out->digits) *out->digits = type.digits < 0 ? 0 : type.digits;
    if (out->nullable) *out->nullable = column->nullable ? SQL_NULLABLE : SQL_NO_NULLS;
    return call_text_out(&self->base, out->name, column->name);
}

static Str type_name(Stmt *self, TribType type) {
    Arena *scratch = handle_scratch(&self->base);
    char *name = scratch ? arena_alloc(scratch, 1024) : NULL;
    if (!name) return STR("");
    size_t length = sqltype_name(type, name, 1024);
    return (Str){name, length < 1024 ? length : 1023};
}

static bool text_field(Stmt *self, const ColumnInfo *column, const SqlType *type,
                       SQLUSMALLINT field, Str *out) {
    switch (field) {
    case SQL_DESC_NAME:
    case SQL_COLUMN_NAME:
    case SQL_DESC_LABEL: *out = column->name; return true;
    case SQL_DESC_BASE_COLUMN_NAME: *out = column->base_name; return true;
    case SQL_DESC_BASE_TABLE_NAME:
    case SQL_DESC_TABLE_NAME: *out = column->table; return true;
    case SQL_DESC_SCHEMA_NAME: *out = column->schema; return true;
    case SQL_DESC_CATALOG_NAME: *out = column->catalog; return true;
    case SQL_DESC_LITERAL_PREFIX: *out = str_from(type->prefix); return true;
    case SQL_DESC_LITERAL_SUFFIX: *out = str_from(type->suffix); return true;
    case SQL_DESC_LOCAL_TYPE_NAME:
    case SQL_DESC_TYPE_NAME: *out = type_name(self, column->type); return true;
    default: return false;
    }
}

/* SQL_COLUMN_LENGTH of version 2: bytes of the default C type; SQL_COLUMN_PRECISION: column size. */
static bool number_field(Stmt *self, const ColumnInfo *column, const SqlType *type,
                         SQLUSMALLINT field, SQLLEN *out) {
    bool odbc2 = stmt_odbc2(self);
    switch (field) {
    case SQL_DESC_AUTO_UNIQUE_VALUE: *out = column->auto_increment; return true;
    case SQL_DESC_CASE_SENSITIVE:
        *out = type->case_sensitive && column->case_sensitive;
        return true;
    case SQL_DESC_CONCISE_TYPE: *out = sqltype_code(type->concise, odbc2); return true;
    case SQL_DESC_TYPE: *out = type->verbose; return true;
    case SQL_DESC_DATETIME_INTERVAL_CODE: *out = type->subcode; return true;
    case SQL_DESC_DATETIME_INTERVAL_PRECISION: *out = type->interval_precision; return true;
    case SQL_DESC_DISPLAY_SIZE: *out = type->display; return true;
    case SQL_DESC_FIXED_PREC_SCALE: *out = SQL_FALSE; return true;
    case SQL_DESC_LENGTH: *out = (SQLLEN)type->size; return true;
    case SQL_COLUMN_PRECISION: *out = (SQLLEN)type->size; return true;
    case SQL_DESC_OCTET_LENGTH:
    case SQL_COLUMN_LENGTH: *out = type->octets; return true;
    case SQL_DESC_PRECISION: *out = type->precision; return true;
    case SQL_DESC_SCALE: *out = type->scale; return true;
    case SQL_COLUMN_SCALE: *out = type->digits < 0 ? 0 : type->digits; return true;
    case SQL_DESC_NULLABLE:
    case SQL_COLUMN_NULLABLE: *out = column->nullable ? SQL_NULLABLE : SQL_NO_NULLS; return true;
    case SQL_DESC_NUM_PREC_RADIX: *out = type->radix; return true;
    case SQL_DESC_SEARCHABLE: *out = type->searchable; return true;
    case SQL_DESC_UNNAMED: *out = column->name.len ? SQL_NAMED : SQL_UNNAMED; return true;
    case SQL_DESC_UNSIGNED: *out = type->is_unsigned; return true;
    case SQL_DESC_UPDATABLE:
        *out = column->writable         ? SQL_ATTR_WRITE
               : column->table_writable ? SQL_ATTR_READWRITE_UNKNOWN /* by UPDATE */
                                        : SQL_ATTR_READONLY;
        return true;
    case SQL_DESC_ROWVER: *out = SQL_FALSE; return true;
    default: return false;
    }
}

bool column_field(Stmt *stmt, uint32_t index, SQLUSMALLINT field, ColumnField *out) {
    const ColumnInfo *column = stmt_column(stmt, index);
    SqlType type;
    column_type(stmt, column, &type);
    *out = (ColumnField){.text = {"", 0}};
    out->is_text = text_field(stmt, column, &type, field, &out->text);
    if (!out->text.data) out->text = STR("");
    return out->is_text || number_field(stmt, column, &type, field, &out->number);
}

/* Programs that call the ANSI functions take a display size for bytes of their buffers, and UTF-8 has up to
 * four to a character. Those of version 2, isql first among them, set columns by it. */
static SQLLEN narrow_display(const Stmt *self, const ColumnInfo *column, SQLLEN characters) {
    bool text = column->type.id == TRIB_TYPE_VARCHAR || column->type.id == TRIB_TYPE_CHAR;
    if (!text || stmt_odbc2(self)) return characters;
    return characters > INT32_MAX / 4 ? INT32_MAX : characters * 4;
}

SQLRETURN stmt_col_attribute(Stmt *self, SQLUSMALLINT number, SQLUSMALLINT field,
                             const TextOut *text, SQLLEN *value) {
    uint32_t count = stmt_column_count(self);
    if (field == SQL_DESC_COUNT || field == SQL_COLUMN_COUNT) {
        if (value) *value = count;
        return SQL_SUCCESS;
    }
    if (count == 0)
        return diag_error(&self->base, ERR_NOT_A_CURSOR, "the statement returns no rows");
    bool bookmark = is_bookmark(self, number);
    if ((number == 0 && !bookmark) || number > count)
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "column %u of %u does not exist",
                          (unsigned)number, (unsigned)count);
    ColumnField out;
    if (!(bookmark ? bookmark_field(self, field, &out)
                   : column_field(self, number - 1u, field, &out)))
        return diag_error(&self->base, ERR_DESCRIPTOR_FIELD, "a column has no field %u",
                          (unsigned)field);
    if (out.is_text) return call_text_out(&self->base, text, out.text);
    if (field == SQL_DESC_DISPLAY_SIZE && !bookmark && !text->wide)
        out.number = narrow_display(self, stmt_column(self, number - 1u), out.number);
    if (value) *value = out.number;
    return SQL_SUCCESS;
}
