/*
 * desc.h - descriptors: what is bound, and what a result or a statement's parameters look like.
 *
 * All binding goes through them: SQLBindCol writes records of the ARD, SQLBindParameter of the APD
 * and IPD, the attributes of a statement that concern rowsets are header fields. The IRD has no
 * records of its own: its fields are computed from the columns of the result.
 */
#ifndef TRIB_DRIVER_DESC_H
#define TRIB_DRIVER_DESC_H

#include "driver/convert.h"
#include "driver/dbc.h"

typedef enum DescRole { DESC_APP, DESC_ARD, DESC_APD, DESC_IRD, DESC_IPD } DescRole;

#define DESC_MAX_RECORDS 32767

/* A record of an ARD, APD or IPD. Number 0 is the bookmark's. */
typedef struct DescRecord {
    SQLSMALLINT type, concise, datetime_code; /* verbose type, concise type, subcode */
    SQLSMALLINT precision, scale;
    SQLSMALLINT parameter_type, unnamed;
    bool scale_set;   /* precision or scale were given, not implied by a type */
    bool leading_set; /* datetime_precision likewise */
    SQLINTEGER datetime_precision, radix;
    SQLULEN length;
    SQLLEN octet_length;
    SQLPOINTER data;
    SQLLEN *octet_length_ptr, *indicator;
    char *name; /* IPD; heap; NULL: none */
} DescRecord;

/* An implicit descriptor is guarded by its statement's lock, an explicit one by its own. */
struct Desc {
    Handle base;
    DescRole role;
    bool automatic;
    Stmt *stmt; /* of an implicit descriptor */
    Dbc *dbc;
    Desc *next; /* explicit ones of the connection */
    SQLULEN array_size, bind_type;
    SQLUSMALLINT *array_status;
    SQLLEN *bind_offset;
    SQLULEN *rows_processed;
    SQLSMALLINT count;
    uint32_t capacity;
    DescRecord *records; /* capacity of them; 0 .. count are in use */
    uint32_t version;    /* changes whenever a record does */
};

void desc_init(Desc *self, DescRole role, bool automatic, Stmt *stmt, Dbc *dbc);
void desc_clear(Desc *self); /* frees what it holds, not the handle */
SQLRETURN desc_new(Dbc *dbc, SQLHANDLE *out);
SQLRETURN desc_free_handle(SQLHANDLE handle);

/* Makes records up to `number` exist; NULL when memory is exhausted. Raises count. */
DescRecord *desc_record(Desc *self, SQLSMALLINT number);
/* The record if it is within count, else NULL. */
static inline DescRecord *desc_find(const Desc *self, uint32_t number) {
    return number <= (uint32_t)self->count && number < self->capacity ? &self->records[number]
                                                                      : NULL;
}
/* count becomes the highest bound record after an unbinding. */
void desc_trim(Desc *self);
void desc_unbind_all(Desc *self);

/* A C type (ARD, APD) or SQL type (IPD) and what follows from it. false: no such type. */
bool desc_set_concise(Desc *self, DescRecord *record, SQLSMALLINT concise);
/* What the application said of precision and scale. */
static inline Precisions desc_precisions(const DescRecord *record) {
    return (Precisions){.set = record->scale_set,
                        .precision = record->precision,
                        .scale = record->scale,
                        .leading = record->leading_set ? record->datetime_precision : 0};
}
/* The consistency check of SQLSetDescRec; false: HY021. */
bool desc_consistent(const Desc *self, const DescRecord *record);

/* The handle whose diagnostics are posted to: own. Values of text fields come in `text`. */
SQLRETURN desc_set_field(Desc *self, SQLSMALLINT number, SQLSMALLINT field, SQLPOINTER value,
                         Str text);
SQLRETURN desc_get_field(Desc *self, Handle *poster, SQLSMALLINT number, SQLSMALLINT field,
                         SQLPOINTER value, SQLINTEGER *length, const TextOut *text);
bool desc_field_is_text(SQLSMALLINT field);
typedef struct DescRecArgs {
    SQLSMALLINT number, type, subtype, precision, scale;
    SQLLEN length;
    SQLPOINTER data;
    SQLLEN *octet_length_ptr, *indicator;
} DescRecArgs;
SQLRETURN desc_set_rec(Desc *self, const DescRecArgs *args);
typedef struct DescRecOut {
    SQLSMALLINT *type, *subtype, *precision, *scale, *nullable;
    SQLLEN *length;
    const TextOut *name;
} DescRecOut;
SQLRETURN desc_get_rec(Desc *self, SQLSMALLINT number, const DescRecOut *out);
SQLRETURN desc_copy(SQLHANDLE source, SQLHANDLE target);

/* A field of a result column (SQLColAttribute, the IRD), as number or text. */
typedef struct ColumnField {
    bool is_text;
    SQLLEN number;
    Str text;
} ColumnField;
/* false: the field is none of a column's. Texts live in the scratch of the statement's call. */
bool column_field(Stmt *stmt, uint32_t column, SQLUSMALLINT field, ColumnField *out);

#endif
