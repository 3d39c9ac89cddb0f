/*
 * metadata.c - schemas, tables, columns and keys from information_schema.
 *
 * Rows are handed on as they arrive; nothing is held but one table's description. Names are compared
 * here, byte by byte: the server compares them under a collation of its own, so that asking for `A`
 * may bring the rows of `a` as well.
 */
#include <inttypes.h>
#include <stdio.h>

#include "connectors/mysql/catalog.h"
#include "connectors/mysql/failure.h"
#include "connectors/mysql/types.h"
#include "engine/base/number.h"

#define SQL_MAX     65536
#define COLUMNS_MAX 16384

/* ---------------------------------------------------------------- check */

typedef struct CheckWork {
    char *text;
    size_t size;
} CheckWork;

static Status check_work(Connection *connection, Guard *guard, void *context, Error *err) {
    CheckWork *work = context;
    const char *tls = "off";
    mariadb_get_infov(connection->mysql, MARIADB_CONNECTION_TLS_VERSION, &tls);
    const char *cipher = mysql_get_ssl_cipher(connection->mysql);
    char version[64];
    const char *reported = mysql_get_server_info(connection->mysql);
    failure_text(reported ? reported : "unknown version", version, sizeof version);
    const Settings *settings = connection->settings;
    snprintf(work->text, work->size, "%s %s, TLS %s%s%s", connection->mariadb ? "MariaDB" : "MySQL",
             version, cipher && tls ? tls : "off",
             cipher && settings->tls == TLS_VERIFY ? " (verified)" : "",
             connection->id_proven ? "" : ", behind a proxy");
    return connection_run(connection, guard, "DO 1", err);
}

TribStatus metadata_check(TribCatalog *self, TribCall *call, char *text, size_t size,
                          TribError *err) {
    CheckWork work = {text, size};
    return catalog_run(self, call, check_work, &work, err);
}

/* ---------------------------------------------------------------- schemas and tables */

typedef struct NamesWork {
    const Settings *settings;
    const char *schema; /* NULL = all */
    TribNames *names;
    Arena *arena;
} NamesWork;

static Status visit_schema(void *context, const QueryRow *row, bool *stop, Error *err) {
    NamesWork *work = context;
    char *name;
    if (row->count < 1 || !row->values[0].data ||
        !settings_shows(work->settings, row->values[0], NULL))
        return TRIB_OK;
    arena_reset(work->arena);
    TRY_ALLOC(name, str_dup(work->arena, row->values[0]), err);
    *stop = !work->names->schema(work->names->self, name);
    return TRIB_OK;
}

static Status schemas_work(Connection *connection, Guard *guard, void *context, Error *err) {
    return connection_query(
        connection, guard,
        STR("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME"),
        visit_schema, context, err);
}

static TribTableKind table_kind(Str type) {
    if (str_equal(type, STR("VIEW"))) return TRIB_TABLE_VIEW;
    if (str_equal(type, STR("SYSTEM VIEW"))) return TRIB_TABLE_SYSTEM;
    return TRIB_TABLE_BASE;
}

/* Views carry "VIEW" (or an error text) as their comment. */
static Str table_comment(TribTableKind kind, Str comment) {
    return kind == TRIB_TABLE_BASE && comment.data && comment.len ? comment : (Str){NULL, 0};
}

static Status visit_table(void *context, const QueryRow *row, bool *stop, Error *err) {
    NamesWork *work = context;
    if (row->count < 4 || !row->values[0].data || !row->values[1].data) return TRIB_OK;
    Str schema = row->values[0], name = row->values[1], type = row->values[2];
    if (work->schema && !str_equal(schema, str_from(work->schema))) return TRIB_OK;
    if (type.data && str_equal(type, STR("SEQUENCE"))) return TRIB_OK;
    if (!settings_shows(work->settings, schema, &name)) return TRIB_OK;
    TribTableKind kind = table_kind(type);
    Str comment = table_comment(kind, row->values[3]);
    char *schema_copy, *name_copy, *comment_copy = NULL;
    arena_reset(work->arena);
    TRY_ALLOC(schema_copy, str_dup(work->arena, schema), err);
    TRY_ALLOC(name_copy, str_dup(work->arena, name), err);
    if (comment.data) TRY_ALLOC(comment_copy, str_dup(work->arena, comment), err);
    *stop = !work->names->table(work->names->self, schema_copy, name_copy, kind, comment_copy);
    return TRIB_OK;
}

static Status tables_work(Connection *connection, Guard *guard, void *context, Error *err) {
    NamesWork *work = context;
    Buf sql;
    buf_init(&sql, NULL, SQL_MAX);
    buf_text(&sql, "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT FROM "
                   "information_schema.TABLES");
    if (work->schema) {
        buf_text(&sql, " WHERE TABLE_SCHEMA = ");
        quote_literal(&sql, str_from(work->schema));
    }
    buf_text(&sql, " ORDER BY TABLE_SCHEMA, TABLE_NAME");
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit_table, work, err);
    buf_clear(&sql);
    return status;
}

static Status names_run(TribCatalog *self, TribCall *call, const char *schema, TribNames *names,
                        Status (*run)(Connection *, Guard *, void *, Error *), Error *err) {
    NamesWork work = {.settings = self->settings,
                      .schema = schema ? schema : self->settings->database,
                      .names = names};
    if (schema && !utf8_valid(schema, strlen(schema))) return TRIB_OK;
    TRY_ALLOC(work.arena, arena_new(NULL), err);
    Status status = catalog_run(self, call, run, &work, err);
    arena_free(work.arena);
    return status;
}

TribStatus metadata_schemas(TribCatalog *self, TribCall *call, TribNames *names, TribError *err) {
    return names_run(self, call, NULL, names, schemas_work, err);
}

TribStatus metadata_tables(TribCatalog *self, TribCall *call, const char *schema, TribNames *names,
                           TribError *err) {
    return names_run(self, call, schema, names, tables_work, err);
}

/* ---------------------------------------------------------------- one table */

typedef struct KeyParts {
    struct KeyParts *next;
    TribKey key;
    uint32_t columns[16]; /* the server allows 16, MariaDB 32: longer keys are left out */
    bool usable;
} KeyParts;

typedef struct DescribeWork {
    const Settings *settings;
    Arena *arena;
    const char *schema, *name;
    bool found, mariadb;
    bool
        transactional; /* the storage engine has transactions; known where something may be written */
    TribTable table;
    TribColumn *columns;
    uint32_t capacity;
    KeyParts *keys, *last_key;
} DescribeWork;

static uint64_t number_of(Str text) {
    int64_t value = 0;
    if (!text.data) return 0;
    NumberResult result = int64_parse(text, &value);
    return result == NUMBER_RANGE ? INT64_MAX : value < 0 ? 0 : (uint64_t)value;
}

static Status copy_text(Arena *arena, Str text, const char **out, Error *err) {
    *out = NULL;
    if (!text.data || !text.len) return TRIB_OK;
    TRY_ALLOC(*out, str_dup(arena, text), err);
    return TRIB_OK;
}

/* Every query of a description starts with schema and table. */
static bool row_is_ours(const DescribeWork *work, const QueryRow *row, uint32_t count) {
    return row->count >= count && str_equal(row->values[0], str_from(work->schema)) &&
           str_equal(row->values[1], str_from(work->name));
}

static Status visit_described(void *context, const QueryRow *row, bool *stop, Error *err) {
    DescribeWork *work = context;
    if (!row_is_ours(work, row, 6)) return TRIB_OK;
    const Str *v = row->values + 2;
    work->found = true;
    work->table.kind = table_kind(v[0]);
    TRY(copy_text(work->arena, table_comment(work->table.kind, v[1]), &work->table.comment, err));
    if (v[2].data && work->table.kind == TRIB_TABLE_BASE)
        work->table.rows = (double)number_of(v[2]);
    work->transactional = row->count > 6 && v[4].data && str_equal(v[4], STR("YES"));
    return copy_text(work->arena, v[3], &work->table.facts, err);
}

static bool column_room(DescribeWork *work) {
    if (work->table.ncolumns < work->capacity) return true;
    uint32_t capacity = work->capacity ? work->capacity * 2 : 32;
    if (capacity > COLUMNS_MAX) return false;
    TribColumn *columns = ARENA_ARRAY(work->arena, TribColumn, capacity);
    if (!columns) return false;
    if (work->table.ncolumns)
        memcpy(columns, work->columns, work->table.ncolumns * sizeof *columns);
    work->columns = columns;
    work->capacity = capacity;
    return true;
}

enum {
    C_SCHEMA,
    C_TABLE,
    C_NAME,
    C_DATA_TYPE,
    C_COLUMN_TYPE,
    C_NULLABLE,
    C_CHARACTERS,
    C_OCTETS,
    C_PRECISION,
    C_SCALE,
    C_FRACTION,
    C_CHARSET,
    C_COLLATION,
    C_EXTRA,
    C_COMMENT,
    C_DEFAULT,
    C_COUNT
};

/* "DEFAULT_GENERATED" says something else: the default is an expression. */
static bool column_is_generated(Str extra) {
    static const char *const words[] = {"VIRTUAL GENERATED", "STORED GENERATED", "PERSISTENT"};
    for (size_t i = 0; extra.data && i < COUNT_OF(words); i++)
        if (memmem(extra.data, extra.len, words[i], strlen(words[i]))) return true;
    return false;
}

static Status visit_column(void *context, const QueryRow *row, bool *stop, Error *err) {
    DescribeWork *work = context;
    if (!row_is_ours(work, row, C_COUNT)) return TRIB_OK;
    if (!column_room(work)) return error_out_of_memory(err);
    const Str *v = row->values;
    DeclaredColumn declared = {v[C_DATA_TYPE],
                               v[C_COLUMN_TYPE],
                               v[C_CHARSET],
                               v[C_COLLATION],
                               number_of(v[C_CHARACTERS]),
                               number_of(v[C_OCTETS]),
                               (uint32_t)number_of(v[C_PRECISION]),
                               (uint32_t)number_of(v[C_SCALE]),
                               (uint32_t)number_of(v[C_FRACTION])};
    TribColumn *column = &work->columns[work->table.ncolumns];
    ColumnFacts facts;
    memset(column, 0, sizeof *column);
    TRY_ALLOC(column->name, str_dup(work->arena, v[C_NAME]), err);
    TRY(type_of_declared(work->settings, work->arena, &declared, &column->type, &facts,
                         &column->unreadable, err));
    /* Values that read as NULL make every date column nullable, whatever its declaration. */
    column->nullable =
        !str_equal(v[C_NULLABLE], STR("NO")) || (facts.class & (CLASS_DATE | CLASS_INSTANT));
    if (v[C_EXTRA].data && memmem(v[C_EXTRA].data, v[C_EXTRA].len, "auto_increment", 14))
        work->table.identity = work->table.ncolumns + 1;
    column->hidden = v[C_EXTRA].data && memmem(v[C_EXTRA].data, v[C_EXTRA].len, "INVISIBLE", 9);
    column->generated = column_is_generated(v[C_EXTRA]);
    TRY_ALLOC(column->facts, facts_format(work->arena, &facts), err);
    TRY(copy_text(work->arena, v[C_COLUMN_TYPE], &column->remote_type, err));
    TRY(copy_text(work->arena, v[C_COMMENT], &column->comment, err));
    /* MariaDB spells what defaults are, and so the lack of one in a column that takes NULL. */
    if (!work->mariadb || !str_equal(v[C_DEFAULT], STR("NULL")))
        TRY(copy_text(work->arena, v[C_DEFAULT], &column->default_sql, err));
    column->distinct = column->null_fraction = -1;
    work->table.ncolumns++;
    return TRIB_OK;
}

static uint32_t column_index(const DescribeWork *work, Str name) {
    for (uint32_t i = 0; i < work->table.ncolumns; i++) {
        if (str_equal_fold(str_from(work->columns[i].name), name)) return i;
    }
    return UINT32_MAX;
}

enum { K_SCHEMA, K_TABLE, K_NAME, K_NON_UNIQUE, K_COLUMN, K_PREFIX, K_CARDINALITY, K_COUNT };

/* Rows come in the order of index and position. */
static Status visit_key(void *context, const QueryRow *row, bool *stop, Error *err) {
    DescribeWork *work = context;
    if (!row_is_ours(work, row, K_COUNT)) return TRIB_OK;
    KeyParts *parts = work->last_key;
    Str name = row->values[K_NAME];
    if (!parts || !str_equal(str_from(parts->key.name), name)) {
        TRY_ALLOC(parts, ARENA_NEW(work->arena, KeyParts), err);
        TRY_ALLOC(parts->key.name, str_dup(work->arena, name), err);
        parts->key.primary = str_equal(name, STR("PRIMARY"));
        parts->key.unique = number_of(row->values[K_NON_UNIQUE]) == 0;
        parts->key.columns = parts->columns;
        parts->usable = true;
        if (work->last_key)
            work->last_key->next = parts;
        else
            work->keys = parts;
        work->last_key = parts;
    }
    uint32_t index =
        row->values[K_COLUMN].data ? column_index(work, row->values[K_COLUMN]) : UINT32_MAX;
    /* An index on a prefix or an expression says nothing about whole values. */
    if (index == UINT32_MAX || row->values[K_PREFIX].data ||
        parts->key.ncolumns == COUNT_OF(parts->columns)) {
        parts->usable = false;
        return TRIB_OK;
    }
    if (parts->key.ncolumns == 0 && row->values[K_CARDINALITY].data) {
        work->columns[index].distinct = (double)number_of(row->values[K_CARDINALITY]);
    }
    parts->columns[parts->key.ncolumns++] = index;
    return TRIB_OK;
}

static Status describe_query(Connection *connection, Guard *guard, DescribeWork *work,
                             const char *select, const char *order,
                             Status (*visit)(void *, const QueryRow *, bool *, Error *),
                             Error *err) {
    Buf sql;
    buf_init(&sql, NULL, SQL_MAX);
    buf_text(&sql, select);
    buf_text(&sql, " WHERE TABLE_SCHEMA = ");
    quote_literal(&sql, str_from(work->schema));
    buf_text(&sql, " AND TABLE_NAME = ");
    quote_literal(&sql, str_from(work->name));
    buf_text(&sql, order);
    Status status = buf_status(&sql, err);
    if (status == TRIB_OK)
        status = connection_query(connection, guard, buf_view(&sql), visit, work, err);
    buf_clear(&sql);
    return status;
}

static Status describe_work(Connection *connection, Guard *guard, void *context, Error *err) {
    DescribeWork *work = context;
    work->mariadb = connection->mariadb;
    const char *table =
        work->settings->readwrite
            ? "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT, TABLE_ROWS, ENGINE, "
              "(SELECT e.TRANSACTIONS FROM information_schema.ENGINES AS e WHERE e.ENGINE = "
              "t.ENGINE) FROM information_schema.TABLES AS t"
            : "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_COMMENT, TABLE_ROWS, ENGINE "
              "FROM information_schema.TABLES";
    TRY(describe_query(connection, guard, work, table, "", visit_described, err));
    if (!work->found) return TRIB_OK;
    TRY(describe_query(
        connection, guard, work,
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, "
        "CHARACTER_MAXIMUM_LENGTH, "
        "CHARACTER_OCTET_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, DATETIME_PRECISION, "
        "CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, COLUMN_COMMENT, COLUMN_DEFAULT "
        "FROM information_schema.COLUMNS",
        " ORDER BY ORDINAL_POSITION", visit_column, err));
    if (work->table.kind != TRIB_TABLE_BASE) return TRIB_OK;
    return describe_query(connection, guard, work,
                          "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, "
                          "SUB_PART, CARDINALITY "
                          "FROM information_schema.STATISTICS",
                          " ORDER BY INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX",
                          visit_key, err);
}

/* Do equal values of these columns always mean the same row, and are they found by `=`? */
static bool key_finds(const DescribeWork *work, const TribKey *key) {
    const uint32_t never = CLASS_OTHER | CLASS_FLOAT | CLASS_ENUM | CLASS_DATE_TEXT;
    for (uint32_t i = 0; i < key->ncolumns; i++) {
        const TribColumn *column = &work->columns[key->columns[i]];
        ColumnFacts facts;
        if (column->unreadable || !facts_parse(column->facts, &facts)) return false;
        if (facts.class & never) return false;
        if (column->nullable && !key->primary) return false;
    }
    return key->unique;
}

/* By which rows are found again: the primary key, or the first unique one without NULLs. */
static void describe_row_key(DescribeWork *work) {
    TribTable *table = &work->table;
    table->writable =
        work->settings->readwrite && table->kind == TRIB_TABLE_BASE && work->transactional;
    for (uint32_t i = 0; i < table->nkeys && table->writable && !table->nrow_key; i++) {
        if (!key_finds(work, &table->keys[i])) continue;
        table->row_key = table->keys[i].columns;
        table->nrow_key = table->keys[i].ncolumns;
    }
}

static Status describe_deliver(DescribeWork *work, TribNames *names, Error *err) {
    uint32_t count = 0;
    for (const KeyParts *k = work->keys; k; k = k->next) count += k->usable;
    TribKey *keys;
    TRY_ALLOC(keys, ARENA_ARRAY(work->arena, TribKey, count), err);
    for (const KeyParts *k = work->keys; k; k = k->next) {
        if (k->usable) keys[work->table.nkeys++] = k->key;
    }
    work->table.size = sizeof work->table;
    work->table.schema = work->schema;
    work->table.name = work->name;
    work->table.columns = work->columns;
    work->table.keys = keys;
    describe_row_key(work);
    return names->described(names->self, &work->table, err);
}

TribStatus metadata_describe(TribCatalog *self, TribCall *call, const char *schema,
                             const char *table, TribNames *names, TribError *err) {
    DescribeWork work = {
        .settings = self->settings, .schema = schema, .name = table, .table.rows = -1};
    Str table_name = str_from(table);
    bool shown = utf8_valid(schema, strlen(schema)) && utf8_valid(table, table_name.len) &&
                 settings_shows(self->settings, str_from(schema), &table_name);
    Status status = TRIB_OK;
    if (shown) {
        TRY_ALLOC(work.arena, arena_new(NULL), err);
        status = catalog_run(self, call, describe_work, &work, err);
        if (status == TRIB_OK && work.found) status = describe_deliver(&work, names, err);
        arena_free(work.arena);
    }
    if (status != TRIB_OK || work.found) return status;
    error_set(err, ERR_TABLE_NOT_FOUND, "table \"%s\".\"%s\" does not exist", schema, table);
    return error_source(err, self->settings->catalog);
}
