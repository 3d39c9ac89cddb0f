/*
 * typeinfo.c - SQLGetTypeInfo: the engine's types as rows, from the same facts as everything else.
 *
 * Text and binary types are listed under each SQL type that programs ask for (narrow, wide, long):
 * parameters of all of them are taken. Programs make tables of what they find here: where the default catalog is
 * written to, types that its columns cannot have are left out, and sizes are those that it takes.
 */
#include "driver/stmt.h"

static const RowColumn type_columns[] = {
    {"TYPE_NAME", ROW_TEXT, false, 128},           {"DATA_TYPE", ROW_SMALLINT, false, 0},
    {"COLUMN_SIZE", ROW_INTEGER, true, 0},         {"LITERAL_PREFIX", ROW_TEXT, true, 128},
    {"LITERAL_SUFFIX", ROW_TEXT, true, 128},       {"CREATE_PARAMS", ROW_TEXT, true, 128},
    {"NULLABLE", ROW_SMALLINT, false, 0},          {"CASE_SENSITIVE", ROW_SMALLINT, false, 0},
    {"SEARCHABLE", ROW_SMALLINT, false, 0},        {"UNSIGNED_ATTRIBUTE", ROW_SMALLINT, true, 0},
    {"FIXED_PREC_SCALE", ROW_SMALLINT, false, 0},  {"AUTO_UNIQUE_VALUE", ROW_SMALLINT, true, 0},
    {"LOCAL_TYPE_NAME", ROW_TEXT, true, 128},      {"MINIMUM_SCALE", ROW_SMALLINT, true, 0},
    {"MAXIMUM_SCALE", ROW_SMALLINT, true, 0},      {"SQL_DATA_TYPE", ROW_SMALLINT, false, 0},
    {"SQL_DATETIME_SUB", ROW_SMALLINT, true, 0},   {"NUM_PREC_RADIX", ROW_INTEGER, true, 0},
    {"INTERVAL_PRECISION", ROW_SMALLINT, true, 0},
};

/* The largest text that is bound in one piece; longer ones go in parts. */
#define TEXT_SIZE 65535

typedef struct TypeInfoRow {
    TribType type;
    SQLSMALLINT code; /* other than the type's own; 0: its own */
    const char *params;
    SQLSMALLINT low, high; /* of the scale; -1: none */
} TypeInfoRow;

static const TypeInfoRow type_rows[] = {
    {{.id = TRIB_TYPE_BOOLEAN}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_TINYINT}, 0, NULL, 0, 0},
    {{.id = TRIB_TYPE_SMALLINT}, 0, NULL, 0, 0},
    {{.id = TRIB_TYPE_INTEGER}, 0, NULL, 0, 0},
    {{.id = TRIB_TYPE_BIGINT}, 0, NULL, 0, 0},
    {{.id = TRIB_TYPE_REAL}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_DOUBLE}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_DOUBLE}, SQL_FLOAT, NULL, -1, -1},
    {{.id = TRIB_TYPE_DECIMAL, .precision = 38}, 0, "precision,scale", 0, 38},
    {{.id = TRIB_TYPE_DECIMAL, .precision = 38}, SQL_NUMERIC, "precision,scale", 0, 38},
    {{.id = TRIB_TYPE_VARCHAR, .length = TEXT_SIZE}, 0, "max length", -1, -1},
    {{.id = TRIB_TYPE_VARCHAR, .length = TEXT_SIZE}, SQL_VARCHAR, "max length", -1, -1},
    {{.id = TRIB_TYPE_VARCHAR, .length = TRIB_LENGTH_LONG}, SQL_LONGVARCHAR, NULL, -1, -1},
    {{.id = TRIB_TYPE_VARCHAR, .length = TRIB_LENGTH_LONG}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_CHAR, .length = TEXT_SIZE}, 0, "length", -1, -1},
    {{.id = TRIB_TYPE_CHAR, .length = TEXT_SIZE}, SQL_CHAR, "length", -1, -1},
    {{.id = TRIB_TYPE_VARBINARY, .length = TEXT_SIZE}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_VARBINARY, .length = TEXT_SIZE}, SQL_BINARY, NULL, -1, -1},
    {{.id = TRIB_TYPE_VARBINARY, .length = TRIB_LENGTH_LONG}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_DATE}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_TIME, .precision = 9}, 0, "precision", 0, 9},
    {{.id = TRIB_TYPE_TIMESTAMP, .precision = 9}, 0, "precision", 0, 9},
    {{.id = TRIB_TYPE_TIMESTAMP_TZ, .precision = 9}, 0, NULL, 0, 9},
    {{.id = TRIB_TYPE_INTERVAL_YM}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_INTERVAL_DS}, 0, NULL, 0, 6},
    {{.id = TRIB_TYPE_UUID}, 0, NULL, -1, -1},
    {{.id = TRIB_TYPE_JSON}, 0, NULL, -1, -1},
};

static void type_row(Listing *rows, const TypeInfoRow *row, const SizeDefaults *sizes, bool odbc2) {
    SqlType facts;
    char name[128];
    sqltype_of(row->type, sizes, &facts);
    Str text = {name, sqltype_name(row->type, name, sizeof name)};
    SQLSMALLINT code = row->code ? row->code : facts.concise;
    listing_row(rows);
    listing_text(rows, 0, text);
    listing_integer(rows, 1, sqltype_code(code, odbc2));
    listing_integer(rows, 2, (int64_t)facts.size);
    if (facts.prefix[0]) listing_text(rows, 3, str_from(facts.prefix));
    if (facts.suffix[0]) listing_text(rows, 4, str_from(facts.suffix));
    if (row->params) listing_text(rows, 5, str_from(row->params));
    listing_integer(rows, 6, SQL_NULLABLE);
    listing_integer(rows, 7, facts.case_sensitive ? SQL_TRUE : SQL_FALSE);
    listing_integer(rows, 8, facts.searchable);
    if (facts.radix) listing_integer(rows, 9, SQL_FALSE);
    listing_integer(rows, 10, SQL_FALSE);
    if (facts.radix) listing_integer(rows, 11, SQL_FALSE);
    listing_text(rows, 12, text);
    if (row->low >= 0) listing_integer(rows, 13, row->low);
    if (row->high >= 0) listing_integer(rows, 14, row->high);
    listing_integer(rows, 15, row->code ? row->code : facts.verbose);
    if (facts.subcode) listing_integer(rows, 16, facts.subcode);
    if (facts.radix) listing_integer(rows, 17, facts.radix);
    if (facts.interval_precision) listing_integer(rows, 18, facts.interval_precision);
}

/* Can columns be of this type? row: with the sizes that they take then. */
static bool type_made(const TribType *types, TypeInfoRow *row) {
    if (!types) return true;
    while (types->id != TRIB_TYPE_UNKNOWN && types->id != row->type.id) types++;
    if (types->id == TRIB_TYPE_UNKNOWN) return false;
    bool shorter = types->length && row->type.length > types->length;
    if (shorter && row->type.length != TRIB_LENGTH_LONG) row->type.length = types->length;
    if (types->precision && row->type.precision > types->precision) {
        row->type.precision = types->precision;
        row->high = types->precision;
    }
    return true;
}

/* Of the default catalog, where it is written to. */
static const TribType *made_types(Dbc *dbc) {
    TransactionFacts facts;
    Error ignored; /* a connector that cannot be loaded makes no columns */
    if (session_transaction_facts(dbc->session, STR(""), &facts, &ignored) != TRIB_OK) return NULL;
    return facts.writable ? facts.column_types : NULL;
}

SQLRETURN stmt_type_info(Stmt *self, SQLSMALLINT type) {
    static const uint32_t keys[] = {1};
    static const char *const names2[] = {
        [2] = "PRECISION", [9] = NULL, [10] = "MONEY", [11] = "AUTO_INCREMENT"};
    SQLSMALLINT verbose, subcode, wanted = sqltype_modern(type);
    Error err;
    if (type != SQL_ALL_TYPES && !sqltype_split(wanted, &verbose, &subcode))
        return diag_error(&self->base, ERR_SQL_TYPE, "%d is no SQL type", (int)type);
    stmt_forget(self);
    Listing *rows = listing_new(type_columns, COUNT_OF(type_columns));
    if (!rows) return diag_no_memory(&self->base);
    bool odbc2 = stmt_odbc2(self);
    for (uint32_t i = 0; odbc2 && i < COUNT_OF(names2); i++)
        if (names2[i]) listing_rename(rows, i, names2[i]);
    SizeDefaults sizes = {TEXT_SIZE, self->dbc->sizes.nested, self->dbc->sizes.narrow};
    const TribType *made = made_types(self->dbc);
    for (size_t i = 0; i < COUNT_OF(type_rows); i++) {
        SqlType facts;
        TypeInfoRow row = type_rows[i];
        if (!type_made(made, &row)) continue;
        sqltype_of(row.type, &sizes, &facts);
        if (row.code == facts.concise) continue; /* narrow texts are listed once */
        SQLSMALLINT code = row.code ? row.code : facts.concise;
        if (type == SQL_ALL_TYPES || code == wanted) type_row(rows, &row, &sizes, odbc2);
    }
    if (listing_finish(rows, keys, 1, &err) == TRIB_OK) return stmt_open_rows(self, rows);
    listing_free(rows);
    return diag_engine(&self->base, &err);
}
