/*
 * catalog.c - SQLTables, SQLColumns and the other functions about the sources' contents.
 *
 * Each fills a Listing in the specification's shape, which then is read like any result. The engine
 * visits (from its cache where that is fresh) and matches the patterns; what no source knows
 * (privileges, procedures) is an empty, well-formed result.
 */
#include "driver/stmt.h"

typedef struct Visit {
    Stmt *stmt;
    Listing *rows;
    const Str *types; /* SQLTables: NULL data = all */
    SizeDefaults sizes;
    bool odbc2;
    Str catalog, schema, table; /* of keys */
    bool unique_only;           /* SQLStatistics */
    bool nullable_keys;         /* SQLSpecialColumns takes keys with NULLs */
    uint8_t key_rank;           /* ... what it chose */
    uint32_t key;
    const MetadataFilter *referred; /* SQLForeignKeys: only keys to this table; NULL: any */
} Visit;

/* Closes what was there and begins a result; NULL: the error is posted. */
static Listing *listing_begin(Stmt *self, const RowColumn *columns, uint32_t count) {
    stmt_forget(self);
    if (!stmt_engine(self)) return NULL;
    Listing *rows = listing_new(columns, count);
    if (!rows) (void)diag_no_memory(&self->base);
    return rows;
}

static SQLRETURN listing_open(Stmt *self, Listing *rows, Status status, const uint32_t *keys,
                              uint32_t nkeys, Error *err) {
    if (status == TRIB_OK) status = listing_finish(rows, keys, nkeys, err);
    if (status == TRIB_OK) return stmt_open_rows(self, rows);
    listing_free(rows);
    return diag_engine(&self->base, err);
}

static void rename_columns(Listing *rows, bool odbc2, const char *const *names, uint32_t count) {
    for (uint32_t i = 0; odbc2 && i < count; i++)
        if (names[i]) listing_rename(rows, i, names[i]);
}

/* SQL_ATTR_METADATA_ID: names are identifiers: quotes are taken off, trailing blanks go. */
static Str identifier(Stmt *self, Str name) {
    if (!name.data || self->options.metadata_id != SQL_TRUE) return name;
    Str text = str_trim(name);
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"')
        return (Str){text.data + 1, text.len - 2};
    return text;
}

static bool names_given(Stmt *self, const Str *names, uint32_t first, uint32_t last) {
    if (self->options.metadata_id != SQL_TRUE) return true;
    for (uint32_t i = first; i <= last; i++) {
        if (names[i].data) continue;
        (void)diag_error(&self->base, ERR_NULL_POINTER,
                         "with SQL_ATTR_METADATA_ID a name cannot be NULL");
        return false;
    }
    return true;
}

static MetadataFilter filter_of(Stmt *self, const Str *names) {
    return (MetadataFilter){.catalog = identifier(self, names[0]),
                            .schema = identifier(self, names[1]),
                            .table = identifier(self, names[2]),
                            .literal = self->options.metadata_id == SQL_TRUE};
}

/* ---- SQLTables */

static const RowColumn tables_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},  {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, true, 128}, {"TABLE_TYPE", ROW_TEXT, true, 128},
    {"REMARKS", ROW_TEXT, true, 254},
};
static const char *const tables_names2[] = {"TABLE_QUALIFIER", "TABLE_OWNER"};
static const char *const table_kinds[] = {"SYSTEM TABLE", "TABLE", "VIEW"};

static Listing *tables_begin(Stmt *self) {
    Listing *rows = listing_begin(self, tables_columns, COUNT_OF(tables_columns));
    if (rows) rename_columns(rows, stmt_odbc2(self), tables_names2, COUNT_OF(tables_names2));
    return rows;
}

/* Is the kind in a list such as 'TABLE','VIEW' or TABLE, VIEW? */
static bool kind_wanted(Str types, Str kind) {
    if (!types.data || types.len == 0 || str_equal(str_trim(types), STR("%"))) return true;
    for (size_t at = 0; at <= types.len;) {
        size_t end = at;
        while (end < types.len && types.data[end] != ',') end++;
        Str one = str_trim((Str){types.data + at, end - at});
        if (one.len >= 2 && one.data[0] == '\'' && one.data[one.len - 1] == '\'')
            one = (Str){one.data + 1, one.len - 2};
        if (str_equal_fold(one, kind) ||
            (str_equal_fold(one, STR("BASE TABLE")) && str_equal(kind, STR("TABLE"))))
            return true;
        at = end + 1;
    }
    return false;
}

static Status on_table(void *context, const MetadataTable *table, Error *err) {
    Visit *visit = context;
    Str kind = str_from(table->kind);
    if (!kind_wanted(*visit->types, kind)) return TRIB_OK;
    listing_row(visit->rows);
    listing_text(visit->rows, 0, table->catalog);
    listing_text(visit->rows, 1, table->schema);
    listing_text(visit->rows, 2, table->table);
    listing_text(visit->rows, 3, kind);
    if (table->comment.len) listing_text(visit->rows, 4, table->comment);
    return TRIB_OK;
}

static Status on_schema(void *context, Str catalog, Str schema, Error *err) {
    Visit *visit = context;
    uint32_t n = listing_rows(visit->rows);
    for (uint32_t i = 0; i < n; i++) /* the same name in several catalogs is listed once */
        if (str_equal(listing_get_text(visit->rows, i, 1), schema)) return TRIB_OK;
    listing_row(visit->rows);
    listing_text(visit->rows, 1, schema);
    return TRIB_OK;
}

static bool is_all(Str name) {
    return str_equal(name, STR("%"));
}

static bool is_empty(Str name) {
    return name.data && name.len == 0;
}

static SQLRETURN enumerate_catalogs(Stmt *self) {
    static const uint32_t keys[] = {0};
    Error err;
    Listing *rows = tables_begin(self);
    if (!rows) return SQL_ERROR;
    const CatalogSummary *catalogs;
    uint32_t count = session_catalogs(self->dbc->session, &catalogs);
    for (uint32_t i = 0; i < count; i++) {
        listing_row(rows);
        listing_text(rows, 0, str_from(catalogs[i].name));
    }
    return listing_open(self, rows, TRIB_OK, keys, 1, &err);
}

static SQLRETURN enumerate_schemas(Stmt *self) {
    static const uint32_t keys[] = {1};
    Error err;
    Listing *rows = tables_begin(self);
    if (!rows) return SQL_ERROR;
    Visit visit = {.stmt = self, .rows = rows};
    MetadataFilter filter = {.literal = false};
    MetadataVisitor visitor = {.context = &visit, .schema = on_schema};
    Status status = statement_list_schemas(atomic_load(&self->engine), &filter, &visitor, &err);
    return listing_open(self, rows, status, keys, 1, &err);
}

static SQLRETURN enumerate_kinds(Stmt *self) {
    static const uint32_t keys[] = {3};
    Error err;
    Listing *rows = tables_begin(self);
    if (!rows) return SQL_ERROR;
    for (size_t i = 0; i < COUNT_OF(table_kinds); i++) {
        listing_row(rows);
        listing_text(rows, 3, str_from(table_kinds[i]));
    }
    return listing_open(self, rows, TRIB_OK, keys, 1, &err);
}

SQLRETURN stmt_tables(Stmt *self, const Str *names) {
    static const uint32_t keys[] = {3, 0, 1, 2};
    Error err;
    if (is_all(names[0]) && is_empty(names[1]) && is_empty(names[2]))
        return enumerate_catalogs(self);
    if (is_empty(names[0]) && is_all(names[1]) && is_empty(names[2]))
        return enumerate_schemas(self);
    if (is_empty(names[0]) && is_empty(names[1]) && is_empty(names[2]) && is_all(names[3]))
        return enumerate_kinds(self);
    if (!names_given(self, names, 1, 2)) return SQL_ERROR;
    MetadataFilter filter = filter_of(self, names);
    Listing *rows = tables_begin(self);
    if (!rows) return SQL_ERROR;
    Visit visit = {.stmt = self, .rows = rows, .types = &names[3]};
    MetadataVisitor visitor = {.context = &visit, .table = on_table};
    Status status = statement_list_tables(atomic_load(&self->engine), &filter, &visitor, &err);
    return listing_open(self, rows, status, keys, COUNT_OF(keys), &err);
}

/* ---- SQLColumns */

static const RowColumn columns_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},          {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, false, 128},        {"COLUMN_NAME", ROW_TEXT, false, 128},
    {"DATA_TYPE", ROW_SMALLINT, false, 0},       {"TYPE_NAME", ROW_TEXT, false, 128},
    {"COLUMN_SIZE", ROW_INTEGER, true, 0},       {"BUFFER_LENGTH", ROW_INTEGER, true, 0},
    {"DECIMAL_DIGITS", ROW_SMALLINT, true, 0},   {"NUM_PREC_RADIX", ROW_SMALLINT, true, 0},
    {"NULLABLE", ROW_SMALLINT, false, 0},        {"REMARKS", ROW_TEXT, true, 254},
    {"COLUMN_DEF", ROW_TEXT, true, 254},         {"SQL_DATA_TYPE", ROW_SMALLINT, false, 0},
    {"SQL_DATETIME_SUB", ROW_SMALLINT, true, 0}, {"CHAR_OCTET_LENGTH", ROW_INTEGER, true, 0},
    {"ORDINAL_POSITION", ROW_INTEGER, false, 0}, {"IS_NULLABLE", ROW_TEXT, true, 254},
};
static const char *const columns_names2[] = {
    "TABLE_QUALIFIER", "TABLE_OWNER", NULL,    NULL,   NULL, NULL,
    "PRECISION",       "LENGTH",      "SCALE", "RADIX"};

static void column_type_cells(Listing *rows, uint32_t first, const Visit *visit, TribType type) {
    SqlType facts;
    char name[1024];
    sqltype_of(type, &visit->sizes, &facts);
    size_t length = sqltype_name(type, name, sizeof name);
    listing_integer(rows, first, sqltype_code(facts.concise, visit->odbc2));
    listing_text(rows, first + 1, (Str){name, length < sizeof name ? length : sizeof name - 1});
    listing_integer(rows, first + 2, (int64_t)facts.size);
    listing_integer(rows, first + 3, facts.octets);
    if (facts.digits >= 0) listing_integer(rows, first + 4, facts.digits);
}

static Status on_column(void *context, const MetadataColumn *column, Error *err) {
    Visit *visit = context;
    Listing *rows = visit->rows;
    SqlType facts;
    sqltype_of(column->type, &visit->sizes, &facts);
    listing_row(rows);
    listing_text(rows, 0, column->catalog);
    listing_text(rows, 1, column->schema);
    listing_text(rows, 2, column->table);
    listing_text(rows, 3, column->name);
    column_type_cells(rows, 4, visit, column->type);
    if (facts.radix) listing_integer(rows, 9, facts.radix);
    listing_integer(rows, 10, column->nullable ? SQL_NULLABLE : SQL_NO_NULLS);
    if (column->comment.len) listing_text(rows, 11, column->comment);
    if (column->default_sql.len) listing_text(rows, 12, column->default_sql);
    listing_integer(rows, 13, facts.verbose);
    if (facts.subcode) listing_integer(rows, 14, facts.subcode);
    bool text = sqltype_is_characters(facts.verbose) || facts.verbose == SQL_VARBINARY ||
                facts.verbose == SQL_LONGVARBINARY;
    if (text) listing_integer(rows, 15, facts.octets);
    listing_integer(rows, 16, column->ordinal);
    listing_text(rows, 17, column->nullable ? STR("YES") : STR("NO"));
    return TRIB_OK;
}

static Visit visit_of(Stmt *self, Listing *rows) {
    return (Visit){
        .stmt = self, .rows = rows, .odbc2 = stmt_odbc2(self), .sizes = self->dbc->sizes};
}

SQLRETURN stmt_columns(Stmt *self, const Str *names) {
    static const uint32_t keys[] = {0, 1, 2, 16};
    Error err;
    if (!names_given(self, names, 1, 3)) return SQL_ERROR;
    MetadataFilter filter = filter_of(self, names);
    filter.column = identifier(self, names[3]);
    filter.literal_catalog = true; /* the other three are patterns */
    Listing *rows = listing_begin(self, columns_columns, COUNT_OF(columns_columns));
    if (!rows) return SQL_ERROR;
    rename_columns(rows, stmt_odbc2(self), columns_names2, COUNT_OF(columns_names2));
    Visit visit = visit_of(self, rows);
    MetadataVisitor visitor = {.context = &visit, .column = on_column};
    Status status = statement_list_columns(atomic_load(&self->engine), &filter, &visitor, &err);
    return listing_open(self, rows, status, keys, COUNT_OF(keys), &err);
}

/* ---- keys */

/* A table that was asked about by name; several when catalog or schema were left open. */
typedef struct TableName {
    Str catalog, schema, table;
    struct TableName *next;
} TableName;

typedef struct TableNames {
    Arena *arena;
    TableName *first, **last;
} TableNames;

static Status on_named_table(void *context, const MetadataTable *table, Error *err) {
    TableNames *names = context;
    TableName *name;
    TRY_ALLOC(name, ARENA_NEW(names->arena, TableName), err);
    *name = (TableName){table->catalog, table->schema, table->table, NULL};
    Str *copies[] = {&name->catalog, &name->schema, &name->table};
    for (size_t i = 0; i < COUNT_OF(copies); i++)
        TRY_ALLOC(copies[i]->data, str_dup(names->arena, *copies[i]), err);
    *names->last = name;
    names->last = &name->next;
    return TRIB_OK;
}

/* NULL stands for the session's default, or for any where there is none. */
static Str name_or_default(Stmt *self, Str name, Str otherwise) {
    if (name.data) return identifier(self, name);
    return otherwise.len ? otherwise : (Str){NULL, 0};
}

/* The table (or, where parts are left open, tables) that catalog, schema and table name. */
static MetadataFilter table_filter(Stmt *self, const Str *args) {
    Session *session = self->dbc->session;
    bool given = args[0].data != NULL; /* the default schema is one of the default catalog */
    return (MetadataFilter){
        .catalog = name_or_default(self, args[0], session_catalog(session)),
        .schema = name_or_default(self, args[1], given ? STR("") : session_schema(session)),
        .table = identifier(self, args[2]),
        .literal = true};
}

typedef Status (*KeyVisitor)(void *context, const MetadataKey *key, Error *err);

/* Visits the keys of the tables of that name; visit says which. No such table: none, as catalog
 * functions answer. */
static Status visit_keys(Stmt *self, const Str *args, Visit *visit, KeyVisitor visitor,
                         Error *err) {
    Statement *engine = atomic_load(&self->engine);
    TableNames names = {.last = &names.first};
    TRY_ALLOC(names.arena, handle_scratch(&self->base), err);
    MetadataFilter filter = table_filter(self, args);
    MetadataVisitor tables = {.context = &names, .table = on_named_table};
    TRY(statement_list_tables(engine, &filter, &tables, err));
    for (const TableName *name = names.first; name; name = name->next) {
        visit->catalog = name->catalog;
        visit->schema = name->schema;
        visit->table = name->table;
        TRY(statement_list_keys(engine, name->catalog, name->schema, name->table, visit, visitor,
                                err));
    }
    return TRIB_OK;
}

static bool table_given(Stmt *self, const Str *names) {
    if (!names[2].data)
        (void)diag_error(&self->base, ERR_NULL_POINTER, "the table is a NULL pointer");
    return names[2].data != NULL;
}

static void table_cells(const Visit *visit) {
    listing_row(visit->rows);
    listing_text(visit->rows, 0, visit->catalog);
    listing_text(visit->rows, 1, visit->schema);
    listing_text(visit->rows, 2, visit->table);
}

static const RowColumn primary_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},   {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, false, 128}, {"COLUMN_NAME", ROW_TEXT, false, 128},
    {"KEY_SEQ", ROW_SMALLINT, false, 0},  {"PK_NAME", ROW_TEXT, true, 128},
};

static Status on_primary(void *context, const MetadataKey *key, Error *err) {
    Visit *visit = context;
    if (!key->primary || key->ordinal == 0) return TRIB_OK;
    table_cells(visit);
    listing_text(visit->rows, 3, key->column);
    listing_integer(visit->rows, 4, key->ordinal);
    if (key->name.len) listing_text(visit->rows, 5, key->name);
    return TRIB_OK;
}

SQLRETURN stmt_primary_keys(Stmt *self, const Str *names) {
    static const uint32_t keys[] = {0, 1, 2, 4};
    Error err;
    Visit visit = visit_of(self, NULL);
    if (!table_given(self, names)) return SQL_ERROR;
    if (!(visit.rows = listing_begin(self, primary_columns, COUNT_OF(primary_columns))))
        return SQL_ERROR;
    rename_columns(visit.rows, visit.odbc2, tables_names2, COUNT_OF(tables_names2));
    Status status = visit_keys(self, names, &visit, on_primary, &err);
    return listing_open(self, visit.rows, status, keys, COUNT_OF(keys), &err);
}

static const RowColumn statistics_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},        {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, false, 128},      {"NON_UNIQUE", ROW_SMALLINT, true, 0},
    {"INDEX_QUALIFIER", ROW_TEXT, true, 128},  {"INDEX_NAME", ROW_TEXT, true, 128},
    {"TYPE", ROW_SMALLINT, false, 0},          {"ORDINAL_POSITION", ROW_SMALLINT, true, 0},
    {"COLUMN_NAME", ROW_TEXT, true, 128},      {"ASC_OR_DESC", ROW_TEXT, true, 1},
    {"CARDINALITY", ROW_INTEGER, true, 0},     {"PAGES", ROW_INTEGER, true, 0},
    {"FILTER_CONDITION", ROW_TEXT, true, 128},
};
static const char *const statistics_names2[] = {
    "TABLE_QUALIFIER", "TABLE_OWNER", NULL,       NULL, NULL, NULL, NULL,
    "SEQ_IN_INDEX",    NULL,          "COLLATION"};

/* What is known of the table as a whole: how many rows it has, if its source says so. */
static void on_table_statistic(Visit *visit, double rows) {
    table_cells(visit);
    listing_integer(visit->rows, 6, SQL_TABLE_STAT);
    if (rows >= 0) listing_integer(visit->rows, 10, rows > INT32_MAX ? INT32_MAX : (int64_t)rows);
}

static Status on_statistic(void *context, const MetadataKey *key, Error *err) {
    Visit *visit = context;
    if (key->ordinal == 0) {
        on_table_statistic(visit, key->rows);
        return TRIB_OK;
    }
    if (visit->unique_only && !key->unique && !key->primary) return TRIB_OK;
    table_cells(visit);
    listing_integer(visit->rows, 3, key->unique || key->primary ? SQL_FALSE : SQL_TRUE);
    listing_text(visit->rows, 5,
                 key->name.len  ? key->name
                 : key->primary ? STR("PRIMARY")
                                : STR(""));
    listing_integer(visit->rows, 6, SQL_INDEX_OTHER);
    listing_integer(visit->rows, 7, key->ordinal);
    listing_text(visit->rows, 8, key->column);
    listing_text(visit->rows, 9, STR("A"));
    return TRIB_OK;
}

SQLRETURN stmt_statistics(Stmt *self, const Str *names, SQLUSMALLINT unique,
                          SQLUSMALLINT reserved) {
    static const uint32_t keys[] = {3, 6, 4, 5, 7};
    Error err;
    Visit visit = visit_of(self, NULL);
    if (unique > SQL_INDEX_ALL)
        return diag_error(&self->base, ERR_UNIQUENESS_OPTION, "%u is no option of SQLStatistics",
                          (unsigned)unique);
    if (reserved > SQL_ENSURE)
        return diag_error(&self->base, ERR_ACCURACY_OPTION, "%u is no accuracy",
                          (unsigned)reserved);
    if (!table_given(self, names)) return SQL_ERROR;
    if (!(visit.rows = listing_begin(self, statistics_columns, COUNT_OF(statistics_columns))))
        return SQL_ERROR;
    rename_columns(visit.rows, visit.odbc2, statistics_names2, COUNT_OF(statistics_names2));
    visit.unique_only = unique == SQL_INDEX_UNIQUE;
    Status status = visit_keys(self, names, &visit, on_statistic, &err);
    return listing_open(self, visit.rows, status, keys, COUNT_OF(keys), &err);
}

static const RowColumn special_columns[] = {
    {"SCOPE", ROW_SMALLINT, true, 0},          {"COLUMN_NAME", ROW_TEXT, false, 128},
    {"DATA_TYPE", ROW_SMALLINT, false, 0},     {"TYPE_NAME", ROW_TEXT, false, 128},
    {"COLUMN_SIZE", ROW_INTEGER, true, 0},     {"BUFFER_LENGTH", ROW_INTEGER, true, 0},
    {"DECIMAL_DIGITS", ROW_SMALLINT, true, 0}, {"PSEUDO_COLUMN", ROW_SMALLINT, true, 0},
};
static const char *const special_names2[] = {NULL,        NULL,     NULL,   NULL,
                                             "PRECISION", "LENGTH", "SCALE"};

/* The key that tells rows apart best: the primary one, else the first unique one without NULLs (or with,
 * if the application takes them). */
static Status on_candidate_key(void *context, const MetadataKey *key, Error *err) {
    Visit *visit = context;
    bool unique = key->unique && (visit->nullable_keys || !key->nullable);
    uint8_t rank = key->ordinal == 0 ? 0 : key->primary ? 2 : unique ? 1 : 0;
    if (rank <= visit->key_rank) return TRIB_OK;
    visit->key_rank = rank;
    visit->key = key->key;
    return TRIB_OK;
}

static Status on_special_key(void *context, const MetadataKey *key, Error *err) {
    Visit *visit = context;
    if (visit->key_rank == 0 || key->ordinal == 0 || key->key != visit->key) return TRIB_OK;
    listing_row(visit->rows);
    listing_integer(visit->rows, 0, SQL_SCOPE_SESSION);
    listing_text(visit->rows, 1, key->column);
    listing_integer(visit->rows, 7, SQL_PC_NOT_PSEUDO);
    return TRIB_OK;
}

/* The columns of the key were listed; now their types. */
static Status on_special_column(void *context, const MetadataColumn *column, Error *err) {
    Visit *visit = context;
    uint32_t n = listing_rows(visit->rows);
    for (uint32_t i = 0; i < n; i++) {
        if (!str_equal(listing_get_text(visit->rows, i, 1), column->name)) continue;
        listing_select(visit->rows, i);
        column_type_cells(visit->rows, 2, visit, column->type);
    }
    return TRIB_OK;
}

SQLRETURN stmt_special_columns(Stmt *self, const Str *names, SQLUSMALLINT kind, SQLUSMALLINT scope,
                               SQLUSMALLINT nullable) {
    Error err;
    Visit visit = visit_of(self, NULL);
    if (kind != SQL_BEST_ROWID && kind != SQL_ROWVER)
        return diag_error(&self->base, ERR_COLUMN_TYPE, "%u is no kind of special column",
                          (unsigned)kind);
    if (scope > SQL_SCOPE_SESSION)
        return diag_error(&self->base, ERR_SCOPE_TYPE, "%u is no scope", (unsigned)scope);
    if (nullable > SQL_NULLABLE)
        return diag_error(&self->base, ERR_NULLABLE_TYPE, "%u does not say whether NULL is wanted",
                          (unsigned)nullable);
    if (!table_given(self, names)) return SQL_ERROR;
    if (!(visit.rows = listing_begin(self, special_columns, COUNT_OF(special_columns))))
        return SQL_ERROR;
    rename_columns(visit.rows, visit.odbc2, special_names2, COUNT_OF(special_names2));
    Status status = TRIB_OK;
    visit.nullable_keys = nullable == SQL_NULLABLE;
    if (kind == SQL_BEST_ROWID) status = visit_keys(self, names, &visit, on_candidate_key, &err);
    if (status == TRIB_OK && visit.key_rank)
        status = visit_keys(self, names, &visit, on_special_key, &err);
    if (status == TRIB_OK && listing_rows(visit.rows) > 0) {
        MetadataFilter filter = {.catalog = visit.catalog,
                                 .schema = visit.schema,
                                 .table = visit.table,
                                 .literal = true};
        MetadataVisitor visitor = {.context = &visit, .column = on_special_column};
        status = statement_list_columns(atomic_load(&self->engine), &filter, &visitor, &err);
    }
    return listing_open(self, visit.rows, status, NULL, 0, &err);
}

/* ---- foreign keys */

static const RowColumn foreign_columns[] = {
    {"PKTABLE_CAT", ROW_TEXT, true, 128},   {"PKTABLE_SCHEM", ROW_TEXT, true, 128},
    {"PKTABLE_NAME", ROW_TEXT, false, 128}, {"PKCOLUMN_NAME", ROW_TEXT, false, 128},
    {"FKTABLE_CAT", ROW_TEXT, true, 128},   {"FKTABLE_SCHEM", ROW_TEXT, true, 128},
    {"FKTABLE_NAME", ROW_TEXT, false, 128}, {"FKCOLUMN_NAME", ROW_TEXT, false, 128},
    {"KEY_SEQ", ROW_SMALLINT, false, 0},    {"UPDATE_RULE", ROW_SMALLINT, true, 0},
    {"DELETE_RULE", ROW_SMALLINT, true, 0}, {"FK_NAME", ROW_TEXT, true, 128},
    {"PK_NAME", ROW_TEXT, true, 128},       {"DEFERRABILITY", ROW_SMALLINT, true, 0},
};
static const char *const foreign_names2[] = {"PKTABLE_QUALIFIER", "PKTABLE_OWNER", NULL, NULL,
                                             "FKTABLE_QUALIFIER", "FKTABLE_OWNER"};

static SQLSMALLINT rule_code(TribReferenceRule rule) {
    switch (rule) {
    case TRIB_RULE_RESTRICT: return SQL_RESTRICT;
    case TRIB_RULE_CASCADE: return SQL_CASCADE;
    case TRIB_RULE_SET_NULL: return SQL_SET_NULL;
    case TRIB_RULE_SET_DEFAULT: return SQL_SET_DEFAULT;
    default: return SQL_NO_ACTION;
    }
}

static Status on_foreign(void *context, const MetadataReference *reference, Error *err) {
    Visit *visit = context;
    Listing *rows = visit->rows;
    const MetadataFilter *to = visit->referred;
    bool wanted = !to || ((!to->catalog.data || str_equal_fold(to->catalog, reference->catalog)) &&
                          (!to->schema.data || str_equal_fold(to->schema, reference->to_schema)) &&
                          str_equal_fold(to->table, reference->to_table));
    if (!wanted) return TRIB_OK;
    listing_row(rows);
    listing_text(rows, 0, reference->catalog);
    listing_text(rows, 1, reference->to_schema);
    listing_text(rows, 2, reference->to_table);
    listing_text(rows, 3, reference->to_column);
    listing_text(rows, 4, reference->catalog);
    listing_text(rows, 5, reference->schema);
    listing_text(rows, 6, reference->table);
    listing_text(rows, 7, reference->column);
    listing_integer(rows, 8, reference->ordinal);
    listing_integer(rows, 9, rule_code(reference->on_update));
    listing_integer(rows, 10, rule_code(reference->on_delete));
    if (reference->name.len) listing_text(rows, 11, reference->name);
    if (reference->key_name.len) listing_text(rows, 12, reference->key_name);
    if (reference->immediate) listing_integer(rows, 13, SQL_NOT_DEFERRABLE);
    return TRIB_OK;
}

SQLRETURN stmt_foreign_keys(Stmt *self, const Str *names) {
    static const uint32_t by_referring[] = {4, 5, 6, 8, 11}, by_referred[] = {0, 1, 2, 8, 11};
    Error err;
    Visit visit = visit_of(self, NULL);
    bool referred = names[2].data != NULL, referring = names[5].data != NULL;
    if (!referred && !referring)
        return diag_error(&self->base, ERR_NULL_POINTER, "one of the two tables must be named");
    if (!(visit.rows = listing_begin(self, foreign_columns, COUNT_OF(foreign_columns))))
        return SQL_ERROR;
    rename_columns(visit.rows, visit.odbc2, foreign_names2, COUNT_OF(foreign_names2));
    MetadataFilter to = table_filter(self, names), from = table_filter(self, names + 3);
    if (referred && referring) visit.referred = &to;
    Status status = statement_list_references(atomic_load(&self->engine), referring ? &from : &to,
                                              !referring, &visit, on_foreign, &err);
    return listing_open(self, visit.rows, status, referring ? by_referred : by_referring,
                        COUNT_OF(by_referred), &err);
}

/* ---- what no source knows */

static const RowColumn procedures_columns[] = {
    {"PROCEDURE_CAT", ROW_TEXT, true, 128},
    {"PROCEDURE_SCHEM", ROW_TEXT, true, 128},
    {"PROCEDURE_NAME", ROW_TEXT, false, 128},
    {"NUM_INPUT_PARAMS", ROW_INTEGER, true, 0},
    {"NUM_OUTPUT_PARAMS", ROW_INTEGER, true, 0},
    {"NUM_RESULT_SETS", ROW_INTEGER, true, 0},
    {"REMARKS", ROW_TEXT, true, 254},
    {"PROCEDURE_TYPE", ROW_SMALLINT, true, 0},
};
static const char *const procedures_names2[] = {"PROCEDURE_QUALIFIER", "PROCEDURE_OWNER"};

static const RowColumn procedure_columns[] = {
    {"PROCEDURE_CAT", ROW_TEXT, true, 128},
    {"PROCEDURE_SCHEM", ROW_TEXT, true, 128},
    {"PROCEDURE_NAME", ROW_TEXT, false, 128},
    {"COLUMN_NAME", ROW_TEXT, false, 128},
    {"COLUMN_TYPE", ROW_SMALLINT, false, 0},
    {"DATA_TYPE", ROW_SMALLINT, false, 0},
    {"TYPE_NAME", ROW_TEXT, false, 128},
    {"COLUMN_SIZE", ROW_INTEGER, true, 0},
    {"BUFFER_LENGTH", ROW_INTEGER, true, 0},
    {"DECIMAL_DIGITS", ROW_SMALLINT, true, 0},
    {"NUM_PREC_RADIX", ROW_SMALLINT, true, 0},
    {"NULLABLE", ROW_SMALLINT, false, 0},
    {"REMARKS", ROW_TEXT, true, 254},
    {"COLUMN_DEF", ROW_TEXT, true, 254},
    {"SQL_DATA_TYPE", ROW_SMALLINT, false, 0},
    {"SQL_DATETIME_SUB", ROW_SMALLINT, true, 0},
    {"CHAR_OCTET_LENGTH", ROW_INTEGER, true, 0},
    {"ORDINAL_POSITION", ROW_INTEGER, false, 0},
    {"IS_NULLABLE", ROW_TEXT, true, 254},
};

static const RowColumn table_privilege_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},   {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, false, 128}, {"GRANTOR", ROW_TEXT, true, 128},
    {"GRANTEE", ROW_TEXT, false, 128},    {"PRIVILEGE", ROW_TEXT, false, 128},
    {"IS_GRANTABLE", ROW_TEXT, true, 3},
};

static const RowColumn column_privilege_columns[] = {
    {"TABLE_CAT", ROW_TEXT, true, 128},   {"TABLE_SCHEM", ROW_TEXT, true, 128},
    {"TABLE_NAME", ROW_TEXT, false, 128}, {"COLUMN_NAME", ROW_TEXT, false, 128},
    {"GRANTOR", ROW_TEXT, true, 128},     {"GRANTEE", ROW_TEXT, false, 128},
    {"PRIVILEGE", ROW_TEXT, false, 128},  {"IS_GRANTABLE", ROW_TEXT, true, 3},
};

static SQLRETURN empty_result(Stmt *self, const RowColumn *columns, uint32_t count,
                              const char *const *names2, uint32_t nnames2) {
    Error err;
    Listing *rows = listing_begin(self, columns, count);
    if (!rows) return SQL_ERROR;
    rename_columns(rows, stmt_odbc2(self), names2, nnames2);
    return listing_open(self, rows, TRIB_OK, NULL, 0, &err);
}

SQLRETURN stmt_procedures(Stmt *self, const Str *names) {
    return empty_result(self, procedures_columns, COUNT_OF(procedures_columns), procedures_names2,
                        COUNT_OF(procedures_names2));
}

SQLRETURN stmt_procedure_columns(Stmt *self, const Str *names) {
    return empty_result(self, procedure_columns, COUNT_OF(procedure_columns), procedures_names2,
                        COUNT_OF(procedures_names2));
}

SQLRETURN stmt_table_privileges(Stmt *self, const Str *names) {
    return empty_result(self, table_privilege_columns, COUNT_OF(table_privilege_columns),
                        tables_names2, COUNT_OF(tables_names2));
}

SQLRETURN stmt_column_privileges(Stmt *self, const Str *names) {
    if (!names[2].data)
        return diag_error(&self->base, ERR_NULL_POINTER, "the table is a NULL pointer");
    return empty_result(self, column_privilege_columns, COUNT_OF(column_privilege_columns),
                        tables_names2, COUNT_OF(tables_names2));
}
