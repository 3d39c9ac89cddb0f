/*
 * desc_fields.c - SQLSetDescField, SQLGetDescField and their record forms.
 *
 * One table says of each field where it stands, how wide it is for the application, and which of the
 * four descriptors read and write it (the specification's table under SQLSetDescField).
 */
#include "driver/desc.h"
#include "driver/stmt.h"

typedef enum FieldKind {
    FIELD_SMALLINT,
    FIELD_INTEGER,
    FIELD_LEN,
    FIELD_POINTER,
    FIELD_TEXT
} FieldKind;
enum { AR = 1, AP = 2, IR = 4, IP = 8, APPS = AR | AP, NOT_IR = AR | AP | IP, ALL = 15, NONE = 0 };

typedef struct FieldRow {
    SQLSMALLINT id;
    uint8_t kind;
    bool header;
    uint8_t reads, writes; /* roles */
    uint16_t offset;       /* in Desc or DescRecord; NO_PLACE: computed */
} FieldRow;

#define NO_PLACE          UINT16_MAX
#define IN_DESC(member)   offsetof(Desc, member)
#define IN_RECORD(member) offsetof(DescRecord, member)

static const FieldRow field_rows[] = {
    {SQL_DESC_ALLOC_TYPE, FIELD_SMALLINT, true, ALL, NONE, NO_PLACE},
    {SQL_DESC_ARRAY_SIZE, FIELD_LEN, true, APPS, APPS, IN_DESC(array_size)},
    {SQL_DESC_ARRAY_STATUS_PTR, FIELD_POINTER, true, ALL, ALL, IN_DESC(array_status)},
    {SQL_DESC_BIND_OFFSET_PTR, FIELD_POINTER, true, APPS, APPS, IN_DESC(bind_offset)},
    {SQL_DESC_BIND_TYPE, FIELD_INTEGER, true, APPS, APPS, IN_DESC(bind_type)},
    {SQL_DESC_COUNT, FIELD_SMALLINT, true, ALL, NOT_IR, NO_PLACE},
    {SQL_DESC_ROWS_PROCESSED_PTR, FIELD_POINTER, true, IR | IP, IR | IP, IN_DESC(rows_processed)},
    {SQL_DESC_AUTO_UNIQUE_VALUE, FIELD_INTEGER, false, IR, NONE, NO_PLACE},
    {SQL_DESC_BASE_COLUMN_NAME, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_BASE_TABLE_NAME, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_CASE_SENSITIVE, FIELD_INTEGER, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_CATALOG_NAME, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_CONCISE_TYPE, FIELD_SMALLINT, false, ALL, NOT_IR, IN_RECORD(concise)},
    {SQL_DESC_DATA_PTR, FIELD_POINTER, false, APPS, NOT_IR, IN_RECORD(data)},
    {SQL_DESC_DATETIME_INTERVAL_CODE, FIELD_SMALLINT, false, ALL, NOT_IR, IN_RECORD(datetime_code)},
    {SQL_DESC_DATETIME_INTERVAL_PRECISION, FIELD_INTEGER, false, ALL, NOT_IR,
     IN_RECORD(datetime_precision)},
    {SQL_DESC_DISPLAY_SIZE, FIELD_LEN, false, IR, NONE, NO_PLACE},
    {SQL_DESC_FIXED_PREC_SCALE, FIELD_SMALLINT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_INDICATOR_PTR, FIELD_POINTER, false, APPS, APPS, IN_RECORD(indicator)},
    {SQL_DESC_LABEL, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_LENGTH, FIELD_LEN, false, ALL, NOT_IR, IN_RECORD(length)},
    {SQL_DESC_LITERAL_PREFIX, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_LITERAL_SUFFIX, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_LOCAL_TYPE_NAME, FIELD_TEXT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_NAME, FIELD_TEXT, false, IR | IP, IP, NO_PLACE},
    {SQL_DESC_NULLABLE, FIELD_SMALLINT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_NUM_PREC_RADIX, FIELD_INTEGER, false, ALL, NOT_IR, IN_RECORD(radix)},
    {SQL_DESC_OCTET_LENGTH, FIELD_LEN, false, ALL, NOT_IR, IN_RECORD(octet_length)},
    {SQL_DESC_OCTET_LENGTH_PTR, FIELD_POINTER, false, APPS, APPS, IN_RECORD(octet_length_ptr)},
    {SQL_DESC_PARAMETER_TYPE, FIELD_SMALLINT, false, IP, IP, IN_RECORD(parameter_type)},
    {SQL_DESC_PRECISION, FIELD_SMALLINT, false, ALL, NOT_IR, IN_RECORD(precision)},
    {SQL_DESC_ROWVER, FIELD_SMALLINT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_SCALE, FIELD_SMALLINT, false, ALL, NOT_IR, IN_RECORD(scale)},
    {SQL_DESC_SCHEMA_NAME, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_SEARCHABLE, FIELD_SMALLINT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_TABLE_NAME, FIELD_TEXT, false, IR, NONE, NO_PLACE},
    {SQL_DESC_TYPE, FIELD_SMALLINT, false, ALL, NOT_IR, IN_RECORD(type)},
    {SQL_DESC_TYPE_NAME, FIELD_TEXT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_UNNAMED, FIELD_SMALLINT, false, IR | IP, IP, IN_RECORD(unnamed)},
    {SQL_DESC_UNSIGNED, FIELD_SMALLINT, false, IR | IP, NONE, NO_PLACE},
    {SQL_DESC_UPDATABLE, FIELD_SMALLINT, false, IR, NONE, NO_PLACE},
};

static const FieldRow *field_find(SQLSMALLINT id) {
    for (size_t i = 0; i < COUNT_OF(field_rows); i++)
        if (field_rows[i].id == id) return &field_rows[i];
    return NULL;
}

bool desc_field_is_text(SQLSMALLINT field) {
    const FieldRow *row = field_find(field);
    return row && row->kind == FIELD_TEXT;
}

/* An explicit descriptor counts as ARD and APD. */
static uint8_t role_bits(const Desc *self) {
    static const uint8_t bits[] = {
        [DESC_APP] = APPS, [DESC_ARD] = AR, [DESC_APD] = AP, [DESC_IRD] = IR, [DESC_IPD] = IP};
    return bits[self->role];
}

static size_t kind_size(uint8_t kind) {
    return kind == FIELD_SMALLINT ? 2 : kind == FIELD_INTEGER ? 4 : 8;
}

static SQLRETURN number_out(uint8_t kind, SQLLEN number, SQLPOINTER value, SQLINTEGER *length) {
    SQLSMALLINT small = (SQLSMALLINT)number;
    SQLINTEGER medium = (SQLINTEGER)number;
    const void *from = kind == FIELD_SMALLINT  ? (void *)&small
                       : kind == FIELD_INTEGER ? (void *)&medium
                                               : (void *)&number;
    if (value) memcpy(value, from, kind_size(kind));
    if (length) *length = (SQLINTEGER)kind_size(kind);
    return SQL_SUCCESS;
}

/* ---- reading */

static SQLRETURN header_get(Desc *self, const FieldRow *row, SQLPOINTER value, SQLINTEGER *length) {
    if (row->id == SQL_DESC_ALLOC_TYPE)
        return number_out(FIELD_SMALLINT,
                          self->automatic ? SQL_DESC_ALLOC_AUTO : SQL_DESC_ALLOC_USER, value,
                          length);
    if (row->id == SQL_DESC_COUNT)
        return number_out(FIELD_SMALLINT,
                          self->role == DESC_IRD ? (SQLLEN)stmt_column_count(self->stmt)
                                                 : self->count,
                          value, length);
    SQLLEN number;
    memcpy(&number, (const char *)self + row->offset, sizeof number);
    return number_out(row->kind, number, value, length);
}

/* Fields of an IPD that follow from its type. */
static void parameter_field(const DescRecord *record, SQLSMALLINT field, ColumnField *out) {
    SizeDefaults sizes = {1, 1, false};
    SqlType facts;
    TribType type = sqltype_parameter(record->concise, record->length, record->scale);
    sqltype_of(type, &sizes, &facts);
    *out = (ColumnField){0};
    switch (field) {
    case SQL_DESC_CASE_SENSITIVE: out->number = facts.case_sensitive; break;
    case SQL_DESC_NULLABLE: out->number = SQL_NULLABLE; break;
    case SQL_DESC_UNSIGNED: out->number = facts.is_unsigned; break;
    case SQL_DESC_NAME: out->text = str_from(record->name ? record->name : ""); break;
    default: out->text = STR(""); break;
    }
}

static SQLRETURN record_get(Desc *self, Handle *poster, const FieldRow *row, SQLSMALLINT number,
                            SQLPOINTER value, SQLINTEGER *length, const TextOut *text) {
    ColumnField field = {0};
    const DescRecord *record = desc_find(self, (uint32_t)number);
    if (self->role == DESC_IRD) {
        if ((uint32_t)number > stmt_column_count(self->stmt)) return SQL_NO_DATA;
        if (!column_field(self->stmt, (uint32_t)number - 1, (SQLUSMALLINT)row->id, &field))
            return diag_error(poster, ERR_DESCRIPTOR_FIELD, "a column has no field %d",
                              (int)row->id);
    } else if (!record) {
        return SQL_NO_DATA;
    } else if (row->offset == NO_PLACE) {
        parameter_field(record, row->id, &field);
        if (row->id == SQL_DESC_TYPE_NAME || row->id == SQL_DESC_LOCAL_TYPE_NAME) {
            char *name = arena_alloc(handle_scratch(poster), 128);
            if (!name) return diag_no_memory(poster);
            field.text.len = sqltype_name(
                sqltype_parameter(record->concise, record->length, record->scale), name, 128);
            field.text.data = name;
        }
    } else {
        const void *place = (const char *)record + row->offset;
        size_t size = kind_size(row->kind);
        if (value) memcpy(value, place, size);
        if (length) *length = (SQLINTEGER)size;
        return SQL_SUCCESS;
    }
    if (row->kind == FIELD_TEXT) return call_text_out(poster, text, field.text);
    return number_out(row->kind, field.number, value, length);
}

static SQLRETURN ird_ready(Desc *self, Handle *poster) {
    if (self->role != DESC_IRD || self->stmt->state != STMT_ALLOCATED) return SQL_SUCCESS;
    return diag_error(poster, ERR_NOT_PREPARED, "the statement is not prepared");
}

SQLRETURN desc_get_field(Desc *self, Handle *poster, SQLSMALLINT number, SQLSMALLINT field,
                         SQLPOINTER value, SQLINTEGER *length, const TextOut *text) {
    const FieldRow *row = field_find(field);
    if (!row || !(row->reads & role_bits(self)))
        return diag_error(poster, ERR_DESCRIPTOR_FIELD, "the descriptor has no field %d",
                          (int)field);
    if (ird_ready(self, poster) != SQL_SUCCESS && !(row->header && row->offset != NO_PLACE))
        return SQL_ERROR;
    if (row->header) return header_get(self, row, value, length);
    if (number < 0 || (number == 0 && (self->role == DESC_IRD || self->role == DESC_IPD)))
        return diag_error(poster, ERR_DESCRIPTOR_INDEX, "there is no record %d", (int)number);
    return record_get(self, poster, row, number, value, length, text);
}

SQLRETURN desc_get_rec(Desc *self, SQLSMALLINT number, const DescRecOut *out) {
    Handle *poster = &self->base;
    if (ird_ready(self, poster) != SQL_SUCCESS) return SQL_ERROR;
    if (number < 0 || (number == 0 && (self->role == DESC_IRD || self->role == DESC_IPD)))
        return diag_error(poster, ERR_DESCRIPTOR_INDEX, "there is no record %d", (int)number);
    struct {
        SQLSMALLINT id;
        SQLPOINTER to;
    } fields[] = {{SQL_DESC_TYPE, out->type},
                  {SQL_DESC_DATETIME_INTERVAL_CODE, out->subtype},
                  {SQL_DESC_OCTET_LENGTH, out->length},
                  {SQL_DESC_PRECISION, out->precision},
                  {SQL_DESC_SCALE, out->scale}};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (!fields[i].to) continue;
        SQLRETURN result =
            record_get(self, poster, field_find(fields[i].id), number, fields[i].to, NULL, NULL);
        if (result != SQL_SUCCESS) return result;
    }
    bool implementation = self->role == DESC_IRD || self->role == DESC_IPD;
    if (!implementation) {
        if (!desc_find(self, (uint32_t)number)) return SQL_NO_DATA;
        return call_text_out(poster, out->name, STR(""));
    }
    if (out->nullable) {
        SQLRETURN result = record_get(self, poster, field_find(SQL_DESC_NULLABLE), number,
                                      out->nullable, NULL, NULL);
        if (result != SQL_SUCCESS) return result;
    }
    return record_get(self, poster, field_find(SQL_DESC_NAME), number, NULL, NULL, out->name);
}

/* ---- writing */

static SQLRETURN header_set(Desc *self, const FieldRow *row, SQLPOINTER value) {
    SQLLEN number = (SQLLEN)(intptr_t)value;
    if (row->id == SQL_DESC_COUNT) {
        if (number < 0 || number > DESC_MAX_RECORDS)
            return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "a count of %lld is out of range",
                              (long long)number);
        if (number > self->count && !desc_record(self, (SQLSMALLINT)number))
            return diag_no_memory(&self->base);
        for (SQLSMALLINT i = (SQLSMALLINT)(number + 1); i <= self->count; i++)
            self->records[i].data = NULL;
        self->count = (SQLSMALLINT)number;
        self->version++;
        return SQL_SUCCESS;
    }
    if (row->id == SQL_DESC_ARRAY_SIZE && number <= 0)
        return diag_error(&self->base, ERR_ATTRIBUTE_VALUE, "an array has at least one row");
    SQLULEN narrow = (SQLULEN)(SQLUINTEGER)number; /* the bind type is an SQLINTEGER */
    memcpy((char *)self + row->offset,
           row->kind == FIELD_INTEGER ? (void *)&narrow : (void *)&number, 8);
    self->version++;
    return SQL_SUCCESS;
}

static SQLRETURN type_set(Desc *self, DescRecord *record, SQLSMALLINT field, SQLSMALLINT value) {
    bool done;
    if (field == SQL_DESC_CONCISE_TYPE) {
        done = desc_set_concise(self, record, value);
    } else if (value == SQL_DATETIME || value == SQL_INTERVAL) {
        record->type = value; /* the concise type follows with the subcode */
        SQLSMALLINT concise = sqltype_join(value, record->datetime_code);
        if (concise) record->concise = concise;
        done = true;
    } else {
        done = desc_set_concise(self, record, value);
    }
    if (done) return SQL_SUCCESS;
    return diag_error(&self->base, ERR_DESCRIPTOR_INCONSISTENT, "%d is no type of this descriptor",
                      (int)value);
}

static SQLRETURN name_set(Desc *self, DescRecord *record, Str text) {
    char *copy = heap_alloc(text.len + 1);
    if (!copy) return diag_no_memory(&self->base);
    if (text.len) memcpy(copy, text.data, text.len);
    heap_free(record->name);
    record->name = copy;
    record->unnamed = text.len ? SQL_NAMED : SQL_UNNAMED;
    return SQL_SUCCESS;
}

static SQLRETURN data_set(Desc *self, DescRecord *record, SQLPOINTER value) {
    /* Programs hand on the size of the column: the structure has as many digits as it has. 65535 arrives as -1. */
    bool digits = self->role != DESC_IPD && record->type == SQL_NUMERIC;
    if (digits && (record->precision > DECIMAL_MAX_DIGITS || record->precision < 0))
        record->precision = DECIMAL_MAX_DIGITS;
    if (value && !desc_consistent(self, record))
        return diag_error(&self->base, ERR_DESCRIPTOR_INCONSISTENT,
                          "the record's type is not consistent");
    if (self->role == DESC_IPD) return SQL_SUCCESS; /* only the check */
    record->data = value;
    if (!value) desc_trim(self);
    return SQL_SUCCESS;
}

static SQLRETURN record_set(Desc *self, const FieldRow *row, DescRecord *record, SQLPOINTER value,
                            Str text) {
    SQLSMALLINT small = (SQLSMALLINT)(intptr_t)value;
    SQLINTEGER medium = (SQLINTEGER)(intptr_t)value;
    bool deferred = row->id == SQL_DESC_DATA_PTR || row->id == SQL_DESC_INDICATOR_PTR ||
                    row->id == SQL_DESC_OCTET_LENGTH_PTR;
    if (!deferred) record->data = NULL; /* the specification: other fields unbind */
    switch (row->id) {
    case SQL_DESC_DATA_PTR: return data_set(self, record, value);
    case SQL_DESC_NAME: return name_set(self, record, text);
    case SQL_DESC_TYPE:
    case SQL_DESC_CONCISE_TYPE: return type_set(self, record, row->id, small);
    case SQL_DESC_DATETIME_INTERVAL_CODE: {
        SQLSMALLINT concise = sqltype_join(record->type, small);
        record->datetime_code = small;
        return concise ? type_set(self, record, SQL_DESC_CONCISE_TYPE, concise) : SQL_SUCCESS;
    }
    case SQL_DESC_UNNAMED:
        if (small != SQL_UNNAMED)
            return diag_error(&self->base, ERR_DESCRIPTOR_FIELD, "a name is set by SQL_DESC_NAME");
        break;
    case SQL_DESC_PRECISION:
    case SQL_DESC_SCALE: record->scale_set = true; break;
    case SQL_DESC_DATETIME_INTERVAL_PRECISION: record->leading_set = true; break;
    default: break;
    }
    void *place = (char *)record + row->offset;
    const void *from = row->kind == FIELD_SMALLINT  ? (void *)&small
                       : row->kind == FIELD_INTEGER ? (void *)&medium
                                                    : (void *)&value;
    memcpy(place, from, kind_size(row->kind));
    return SQL_SUCCESS;
}

SQLRETURN desc_set_field(Desc *self, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
                         Str text) {
    const FieldRow *row = field_find(field);
    if (!row)
        return diag_error(&self->base, ERR_DESCRIPTOR_FIELD, "there is no field %d", (int)field);
    if (!(row->writes & role_bits(self))) {
        if (self->role == DESC_IRD)
            return diag_error(&self->base, ERR_IRD_MODIFIED,
                              "a result's descriptor cannot be written");
        return diag_error(&self->base, ERR_DESCRIPTOR_FIELD, "the field %d cannot be written",
                          (int)field);
    }
    if (row->header) return header_set(self, row, value);
    if (number < 0 || (number == 0 && self->role == DESC_IPD))
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "there is no record %d", (int)number);
    DescRecord *record = desc_record(self, number);
    if (!record) return diag_no_memory(&self->base);
    return record_set(self, row, record, value, text);
}

SQLRETURN desc_set_rec(Desc *self, const DescRecArgs *args) {
    if (self->role == DESC_IRD)
        return diag_error(&self->base, ERR_IRD_MODIFIED, "a result's descriptor cannot be written");
    if (args->number < 0 || (args->number == 0 && self->role == DESC_IPD))
        return diag_error(&self->base, ERR_DESCRIPTOR_INDEX, "there is no record %d",
                          (int)args->number);
    DescRecord *record = desc_record(self, args->number);
    if (!record) return diag_no_memory(&self->base);
    SQLSMALLINT concise = sqltype_join(args->type, args->subtype);
    if (!concise || !desc_set_concise(self, record, concise))
        return diag_error(&self->base, ERR_DESCRIPTOR_INCONSISTENT,
                          "type %d with subcode %d does not exist", (int)args->type,
                          (int)args->subtype);
    record->octet_length = args->length;
    record->precision = args->precision;
    record->scale = args->scale;
    record->scale_set = args->precision != 0 || args->scale != 0;
    if (self->role != DESC_IPD) {
        record->octet_length_ptr = args->octet_length_ptr;
        record->indicator = args->indicator;
    }
    return data_set(self, record, args->data);
}
