/*
 * metadata.c - what the file says about itself: tables, columns, keys, statistics.
 *
 * Names and types come from sqlite_schema and the table-valued pragmas; collations from
 * sqlite3_table_column_metadata; row counts and distinct values from sqlite_stat1 where ANALYZE was
 * run, else from max(rowid). Every description is built in an arena of its own and handed over.
 */
#include "connectors/sqlite/sqlite_internal.h"

#include <math.h>

#include "engine/base/number.h"

static const char *const SCHEMA = "main";

/* A description while it is being gathered. */
typedef struct Describe {
    TribCatalog *catalog;
    LiteDb *db;
    Arena *arena;
    Error *err;
    const char *name;
    Str definitions; /* of the columns that are still to come, from its CREATE TABLE; empty for views and statements */
    bool view, virtual, strict, without_rowid, utf16;
    bool rowid_alias; /* its single INTEGER PRIMARY KEY is the rowid */
    TribTable table;
    TribColumn *columns;
    LiteFacts *facts;
    TribType *proved; /* by a CHECK of the column; id 0 = nothing */
    TribKey *keys;
    const char *rowid; /* the name under which it can be read; NULL = none */
} Describe;

static Status stmt_open(const Describe *d, const char *sql, sqlite3_stmt **out) {
    TRY(lite_prepare(d->catalog, d->db, sql, strlen(sql), out, d->err));
    int at = sqlite3_bind_parameter_count(*out);
    if (at) sqlite3_bind_text(*out, 1, d->name, -1, SQLITE_STATIC);
    return TRIB_OK;
}

static const char *column_text(sqlite3_stmt *stmt, int column) {
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? text : "";
}

/* ---------------------------------------------------------------- lists */

TribStatus lite_list_schemas(TribCatalog *catalog, TribCall *call, TribNames *names,
                             TribError *err) {
    LiteDb *db;
    TRY(lite_take(catalog, call, NULL, &db,
                  err)); /* a file that is not there is an error already here */
    lite_give(catalog, db);
    names->schema(names->self, SCHEMA);
    return TRIB_OK;
}

static Status list_rows(TribCatalog *catalog, LiteDb *db, TribNames *names, Error *err) {
    static const char sql[] =
        "SELECT name, type FROM main.sqlite_schema WHERE type IN ('table', 'view') "
        "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name";
    sqlite3_stmt *stmt;
    bool row, more = true;
    TRY(lite_prepare(catalog, db, sql, sizeof sql - 1, &stmt, err));
    Status status = lite_step(catalog, db, stmt, &row, err);
    while (status == TRIB_OK && row && more) {
        const char *name = column_text(stmt, 0);
        TribTableKind kind =
            strcmp(column_text(stmt, 1), "view") == 0 ? TRIB_TABLE_VIEW : TRIB_TABLE_BASE;
        if (!lite_hidden(catalog, name)) more = names->table(names->self, SCHEMA, name, kind, NULL);
        status = lite_step(catalog, db, stmt, &row, err);
    }
    sqlite3_finalize(stmt);
    return status;
}

TribStatus lite_list_tables(TribCatalog *catalog, TribCall *call, const char *schema,
                            TribNames *names, TribError *err) {
    LiteDb *db;
    if (schema && strcmp(schema, SCHEMA) != 0) return TRIB_OK;
    TRY(lite_take(catalog, call, NULL, &db, err));
    Status status = list_rows(catalog, db, names, err);
    lite_give(catalog, db);
    return status;
}

/* ---------------------------------------------------------------- the table itself */

static Status describe_object(Describe *d) {
    sqlite3_stmt *stmt;
    bool row;
    TRY(stmt_open(d,
                  "SELECT type, (SELECT encoding FROM pragma_encoding) LIKE 'UTF-16%', sql FROM "
                  "main.sqlite_schema "
                  "WHERE type IN ('table', 'view') AND name = ?",
                  &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    if (status == TRIB_OK && (!row || lite_hidden(d->catalog, d->name))) {
        error_set(d->err, ERR_TABLE_NOT_FOUND, "there is no table \"%s\" in the database", d->name);
        status = error_source(d->err, d->catalog->name);
    } else if (status == TRIB_OK) {
        d->view = strcmp(column_text(stmt, 0), "view") == 0;
        d->utf16 = sqlite3_column_int(stmt, 1);
        char *sql = d->view ? NULL : arena_strdup(d->arena, column_text(stmt, 2));
        if (sql)
            d->definitions = lite_definitions(sql);
        else if (!d->view)
            status = error_out_of_memory(d->err);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* STRICT, WITHOUT ROWID and virtual, from pragma_table_list (SQLite 3.37, which is also the first with STRICT). */
static Status describe_flavour(Describe *d) {
    sqlite3_stmt *stmt;
    bool row;
    if (d->view || sqlite3_libversion_number() < 3037000) return TRIB_OK;
    TRY(stmt_open(
        d, "SELECT type, wr, strict FROM pragma_table_list WHERE schema = 'main' AND name = ?",
        &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    if (status == TRIB_OK && row) {
        const char *type = column_text(stmt, 0);
        d->virtual = strcmp(type, "virtual") == 0 || strcmp(type, "shadow") == 0;
        d->without_rowid = sqlite3_column_int(stmt, 1);
        d->strict = sqlite3_column_int(stmt, 2);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* The collation of a column, where SQLite says it. */
static void column_collation(Describe *d, const char *column, LiteFacts *facts) {
    const char *collation = NULL;
    if (d->view) return;
    int rc = sqlite3_table_column_metadata(d->db->db, SCHEMA, d->name, column, NULL, &collation,
                                           NULL, NULL, NULL);
    if (rc != SQLITE_OK || !collation) return;
    facts->binary = sqlite3_stricmp(collation, "BINARY") == 0;
    facts->indexable =
        sqlite3_stricmp(collation, "NOCASE") == 0 || sqlite3_stricmp(collation, "RTRIM") == 0;
}

/* A declared type stands for what a CHECK of the column proves, if that is one of its own kind. */
static void column_proof(Describe *d, uint32_t index) {
    TribColumn *column = &d->columns[index];
    TribType proved = d->proved[index];
    LiteKind kind = d->facts[index].kind;
    bool is_char = sqlite3_strnicmp(column->remote_type, "CHAR(", 5) == 0;
    if (kind == KIND_INTEGER && proved.id && proved.id != TRIB_TYPE_CHAR)
        column->type.id = proved.id;
    else if (kind == KIND_TEXT && is_char && proved.id == TRIB_TYPE_CHAR &&
             proved.length == column->type.length)
        column->type.id = TRIB_TYPE_CHAR;
}

static Status describe_column(Describe *d, sqlite3_stmt *stmt, uint32_t index, uint32_t *pk_columns,
                              uint32_t *npk) {
    TribColumn *column = &d->columns[index];
    LiteFacts *facts = &d->facts[index];
    const char *declared = column_text(stmt, 1);
    int pk = sqlite3_column_int(stmt, 4), hidden = sqlite3_column_int(stmt, 5);
    facts->strict = d->strict;
    facts->utf16 = d->utf16;
    lite_type(declared, d->catalog->on_mismatch, d->strict, &column->type, &facts->kind);
    TRY_ALLOC(column->name, arena_strdup(d->arena, column_text(stmt, 0)), d->err);
    TRY_ALLOC(column->remote_type, arena_strdup(d->arena, declared), d->err);
    d->proved[index] = lite_proof_next(&d->definitions, column->name);
    column_proof(d, index);
    column->nullable = !sqlite3_column_int(stmt, 2) && !(d->without_rowid && pk);
    column->hidden = hidden == 1;
    column->generated = hidden == 2 || hidden == 3;
    column->distinct = column->null_fraction = -1;
    if (sqlite3_column_type(stmt, 3) != SQLITE_NULL) {
        TRY_ALLOC(column->default_sql, arena_strdup(d->arena, column_text(stmt, 3)), d->err);
    }
    column_collation(d, column->name, facts);
    if (pk > 0 && (uint32_t)pk <= d->table.ncolumns) {
        pk_columns[pk - 1] = index;
        (*npk)++;
    }
    return TRIB_OK;
}

static Status columns_count(Describe *d) {
    sqlite3_stmt *stmt;
    bool row;
    TRY(stmt_open(d, "SELECT count(*) FROM pragma_table_xinfo(?, 'main')", &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    if (status == TRIB_OK && row) d->table.ncolumns = (uint32_t)sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return status;
}

static Status describe_columns(Describe *d, uint32_t **pk_columns, uint32_t *npk) {
    sqlite3_stmt *stmt;
    bool row;
    uint32_t index = 0;
    TRY(columns_count(d));
    size_t room = (size_t)d->table.ncolumns + 1; /* the rowid may stand behind them */
    TRY_ALLOC(d->columns, ARENA_ARRAY(d->arena, TribColumn, room), d->err);
    TRY_ALLOC(d->facts, ARENA_ARRAY(d->arena, LiteFacts, room), d->err);
    TRY_ALLOC(d->proved, ARENA_ARRAY(d->arena, TribType, room), d->err);
    TRY_ALLOC(*pk_columns, ARENA_ARRAY(d->arena, uint32_t, d->table.ncolumns), d->err);
    TRY(stmt_open(
        d,
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?, 'main') "
        "ORDER BY cid",
        &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    while (status == TRIB_OK && row && index < d->table.ncolumns) {
        status = describe_column(d, stmt, index++, *pk_columns, npk);
        if (status == TRIB_OK) status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    }
    sqlite3_finalize(stmt);
    d->table.ncolumns = index;
    return status;
}

/* ---------------------------------------------------------------- keys */

/* Two different stored values are two different values of the type: uniqueness carries over. */
static bool kind_is_one_to_one(LiteKind kind) {
    return kind == KIND_INTEGER || kind == KIND_TEXT || kind == KIND_BLOB;
}

static Status key_add(Describe *d, const char *name, bool primary, bool unique,
                      const uint32_t *columns, uint32_t count) {
    TribKey *key = &d->keys[d->table.nkeys];
    for (uint32_t i = 0; i < count && unique; i++) {
        if (!kind_is_one_to_one(d->facts[columns[i]].kind)) return TRIB_OK;
        primary = primary && !d->columns[columns[i]].nullable;
    }
    if (unique && d->catalog->on_mismatch == MISMATCH_NULL)
        return TRIB_OK; /* values may become NULL */
    uint32_t *copy;
    TRY_ALLOC(copy, ARENA_ARRAY(d->arena, uint32_t, count), d->err);
    memcpy(copy, columns, count * sizeof *copy);
    TRY_ALLOC(key->name, arena_strdup(d->arena, name), d->err);
    key->primary = primary;
    key->unique = unique;
    key->ncolumns = count;
    key->columns = copy;
    d->table.nkeys++;
    return TRIB_OK;
}

static Status indexes_count(Describe *d, int64_t *count, bool *has_pk_index) {
    sqlite3_stmt *stmt;
    bool row;
    TRY(stmt_open(
        d, "SELECT count(*), coalesce(max(origin = 'pk'), 0) FROM pragma_index_list(?, 'main')",
        &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    if (status == TRIB_OK && row) {
        *count = sqlite3_column_int64(stmt, 0);
        *has_pk_index = sqlite3_column_int(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* Indexes over plain columns, unique ones and others, in SQLite's order; rows of (index, column) come grouped by index. */
static Status describe_indexes(Describe *d) {
    sqlite3_stmt *stmt;
    bool row;
    uint32_t *columns, count = 0;
    bool usable = true, unique = false;
    char *current = NULL;
    TRY_ALLOC(columns, ARENA_ARRAY(d->arena, uint32_t, (size_t)d->table.ncolumns + 1), d->err);
    TRY(stmt_open(d,
                  "SELECT l.name, x.cid, l.\"unique\" FROM pragma_index_list(?, 'main') AS l, "
                  "pragma_index_xinfo(l.name, 'main') AS x "
                  "WHERE NOT l.partial AND l.origin <> 'pk' AND x.key ORDER BY "
                  "l.\"unique\" DESC, l.seq, x.seqno",
                  &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    while (status == TRIB_OK) {
        const char *name = row ? column_text(stmt, 0) : "";
        if (current && (!row || strcmp(current, name) != 0)) {
            if (usable && count) status = key_add(d, current, false, unique, columns, count);
            count = 0;
            usable = true;
            current = NULL;
        }
        if (!row || status != TRIB_OK) break;
        if (!current && !(current = arena_strdup(d->arena, name)))
            status = error_out_of_memory(d->err);
        unique = sqlite3_column_int(stmt, 2) != 0;
        int64_t cid = sqlite3_column_int64(stmt, 1);
        if (cid < 0 || cid >= d->table.ncolumns || count >= d->table.ncolumns)
            usable = false;
        else
            columns[count++] = (uint32_t)cid;
        if (status == TRIB_OK) status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    }
    sqlite3_finalize(stmt);
    return status;
}

static Status describe_keys(Describe *d, const uint32_t *pk_columns, uint32_t npk) {
    int64_t nindexes = 0;
    bool has_pk_index = false;
    if (d->view) return TRIB_OK;
    TRY(indexes_count(d, &nindexes, &has_pk_index));
    TRY_ALLOC(d->keys, ARENA_ARRAY(d->arena, TribKey, (size_t)nindexes + 1), d->err);
    /* A single INTEGER PRIMARY KEY without an index of its own is the rowid under another name: always an
     * integer, never NULL, whatever the table says. */
    if (npk == 1 && !has_pk_index && !d->without_rowid && !d->virtual &&
        sqlite3_stricmp(d->columns[pk_columns[0]].remote_type, "INTEGER") == 0) {
        uint32_t column = pk_columns[0];
        d->rowid_alias = true;
        d->columns[column].nullable = false;
        d->facts[column].strict = true;
        lite_type("INTEGER", MISMATCH_ERROR, true, &d->columns[column].type,
                  &d->facts[column].kind);
        column_proof(d, column);
    }
    if (npk) TRY(key_add(d, "PRIMARY KEY", true, true, pk_columns, npk));
    return describe_indexes(d);
}

/* ---------------------------------------------------------------- statistics */

static bool column_named(const Describe *d, const char *name) {
    for (uint32_t i = 0; i < d->table.ncolumns; i++) {
        if (sqlite3_stricmp(d->columns[i].name, name) == 0) return true;
    }
    return false;
}

static void describe_rowid(Describe *d) {
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    if (d->view || d->virtual || d->without_rowid) return;
    if (sqlite3_libversion_number() < 3037000) { /* nobody said whether it is WITHOUT ROWID */
        sqlite3_stmt *stmt = NULL;
        char *sql = sqlite3_mprintf("SELECT rowid FROM main.\"%w\"", d->name);
        int rc = sql ? sqlite3_prepare_v2(d->db->db, sql, -1, &stmt, NULL) : SQLITE_NOMEM;
        sqlite3_finalize(stmt);
        sqlite3_free(sql);
        if (rc != SQLITE_OK) return;
    }
    for (size_t i = 0; i < COUNT_OF(names) && !d->rowid; i++) {
        if (!column_named(d, names[i])) d->rowid = names[i];
    }
}

/* The numbers of one sqlite_stat1 row: rows of the table, then rows per distinct prefix of the index. */
static void stat_apply(Describe *d, const char *stat, int64_t first_column) {
    int64_t rows, per_value;
    const char *blank = strchr(stat, ' ');
    Str head = {stat, blank ? (size_t)(blank - stat) : strlen(stat)};
    if (int64_parse(head, &rows) != NUMBER_OK || rows < 0) return;
    if ((double)rows > d->table.rows) d->table.rows = (double)rows;
    if (!blank || first_column < 0 || first_column >= d->table.ncolumns) return;
    const char *next = strchr(blank + 1, ' ');
    Str second = {blank + 1, next ? (size_t)(next - blank - 1) : strlen(blank + 1)};
    if (int64_parse(second, &per_value) != NUMBER_OK || per_value <= 0) return;
    d->columns[first_column].distinct = fmax(1, (double)rows / (double)per_value);
}

static Status describe_stat1(Describe *d) {
    sqlite3_stmt *stmt;
    bool row = false;
    TRY(stmt_open(d, "SELECT 1 FROM main.sqlite_schema WHERE name = 'sqlite_stat1'", &stmt));
    Status status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    sqlite3_finalize(stmt);
    if (status != TRIB_OK || !row) return status;
    TRY(stmt_open(d,
                  "SELECT s.stat, coalesce((SELECT cid FROM pragma_index_info(s.idx, 'main') WHERE "
                  "seqno = 0), -1) "
                  "FROM main.sqlite_stat1 AS s WHERE s.tbl = ? COLLATE NOCASE",
                  &stmt));
    status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    while (status == TRIB_OK && row) {
        stat_apply(d, column_text(stmt, 0), sqlite3_column_int64(stmt, 1));
        status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* Without ANALYZE: the largest rowid, found by one seek, is at least of the order of the count. */
static Status describe_max_rowid(Describe *d) {
    sqlite3_stmt *stmt;
    bool row;
    char *sql = sqlite3_mprintf("SELECT max(%s) FROM main.\"%w\"", d->rowid, d->name);
    if (!sql) return error_out_of_memory(d->err);
    Status status = lite_prepare(d->catalog, d->db, sql, strlen(sql), &stmt, d->err);
    sqlite3_free(sql);
    TRY(status);
    status = lite_step(d->catalog, d->db, stmt, &row, d->err);
    if (status == TRIB_OK && row) d->table.rows = fmax(0, sqlite3_column_double(stmt, 0));
    sqlite3_finalize(stmt);
    return status;
}

static Status describe_statistics(Describe *d) {
    d->table.rows = -1;
    describe_rowid(d);
    if (d->view || d->virtual) return TRIB_OK;
    TRY(describe_stat1(d));
    if (d->table.rows < 0 && d->rowid) TRY(describe_max_rowid(d));
    if (d->rowid_alias) {
        for (uint32_t i = 0; i < d->table.nkeys; i++) {
            if (d->keys[i].primary) d->columns[d->keys[i].columns[0]].distinct = d->table.rows;
        }
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- handing over */

static Status describe_finish(Describe *d, TribNames *names) {
    for (uint32_t i = 0; i < d->table.ncolumns; i++) {
        TRY_ALLOC(d->columns[i].facts, lite_facts_text(d->arena, d->facts[i]), d->err);
    }
    d->table.size = sizeof d->table;
    d->table.schema = SCHEMA;
    d->table.name = d->name;
    d->table.kind = d->view ? TRIB_TABLE_VIEW : TRIB_TABLE_BASE;
    d->table.columns = d->columns;
    d->table.keys = d->keys;
    d->table.writable = d->catalog->readwrite && !d->view && !d->virtual;
    if (d->rowid) TRY_ALLOC(d->table.facts, arena_printf(d->arena, "rowid=%s", d->rowid), d->err);
    return names->described(names->self, &d->table, d->err);
}

const char *lite_rowid_name(const char *table_facts) {
    static const char prefix[] = "rowid=";
    if (!table_facts || strncmp(table_facts, prefix, sizeof prefix - 1) != 0) return NULL;
    return table_facts + sizeof prefix - 1;
}

/* By which rows are found again: the rowid, as a hidden column where none shows it, or the primary key. */
static Status describe_row_key(Describe *d, const uint32_t *pk_columns, uint32_t npk) {
    uint32_t *key;
    if (!d->catalog->readwrite || d->view || d->virtual) return TRIB_OK;
    if (d->rowid_alias) d->table.identity = pk_columns[0] + 1;
    d->table.row_key = pk_columns;
    d->table.nrow_key = d->rowid_alias || d->without_rowid ? npk : 0;
    if (d->table.nrow_key || !d->rowid) return TRIB_OK;
    TRY_ALLOC(key, ARENA_NEW(d->arena, uint32_t), d->err);
    *key = d->table.ncolumns++;
    d->columns[*key] = (TribColumn){.name = d->rowid,
                                    .hidden = true,
                                    .remote_type = "INTEGER",
                                    .distinct = -1,
                                    .null_fraction = 0};
    lite_type("INTEGER", MISMATCH_ERROR, true, &d->columns[*key].type, &d->facts[*key].kind);
    d->facts[*key].strict = true;
    d->table.row_key = key;
    d->table.nrow_key = 1;
    return TRIB_OK;
}

static Status describe(Describe *d) {
    uint32_t *pk_columns = NULL, npk = 0;
    TRY(describe_object(d));
    TRY(describe_flavour(d));
    TRY(describe_columns(d, &pk_columns, &npk));
    TRY(describe_keys(d, pk_columns, npk));
    TRY(describe_statistics(d));
    return describe_row_key(d, pk_columns, npk);
}

TribStatus lite_describe_table(TribCatalog *catalog, TribCall *call, const char *schema,
                               const char *table, TribNames *names, TribError *err) {
    Arena *arena;
    Describe d = {.catalog = catalog, .err = err, .name = table};
    if (strcmp(schema, SCHEMA) != 0) {
        error_set(err, ERR_SCHEMA_NAME, "there is no schema \"%s\": an SQLite catalog has \"main\"",
                  schema);
        return error_source(err, catalog->name);
    }
    TRY_ALLOC(arena, arena_new(NULL), err);
    d.arena = arena;
    Status status = lite_take(catalog, call, NULL, &d.db, err);
    if (status == TRIB_OK) {
        status = describe(&d);
        lite_give(catalog, d.db);
    }
    if (status == TRIB_OK) status = describe_finish(&d, names);
    arena_free(arena);
    return status;
}

/* ---------------------------------------------------------------- statements passed through */

static Status passthrough_columns(Describe *d, sqlite3_stmt *stmt) {
    int count = sqlite3_column_count(stmt);
    d->table.ncolumns = (uint32_t)count;
    d->table.rows = -1;
    TRY_ALLOC(d->columns, ARENA_ARRAY(d->arena, TribColumn, (size_t)count), d->err);
    TRY_ALLOC(d->facts, ARENA_ARRAY(d->arena, LiteFacts, (size_t)count), d->err);
    for (int i = 0; i < count; i++) {
        TribColumn *column = &d->columns[i];
        const char *declared = sqlite3_column_decltype(stmt, i);
        lite_type(declared, d->catalog->on_mismatch, false, &column->type, &d->facts[i].kind);
        TRY_ALLOC(column->name, arena_strdup(d->arena, sqlite3_column_name(stmt, i)), d->err);
        TRY_ALLOC(column->remote_type, arena_strdup(d->arena, declared ? declared : ""), d->err);
        column->nullable = true;
        column->distinct = column->null_fraction = -1;
    }
    return TRIB_OK;
}

static Status passthrough_prepare(Describe *d, TribNames *names) {
    sqlite3_stmt *stmt = NULL;
    const char *rest = NULL;
    int rc = sqlite3_prepare_v2(d->db->db, d->name, -1, &stmt, &rest);
    Status status = TRIB_OK;
    if (rc != SQLITE_OK) {
        lite_error(d->catalog, d->db, rc, "SQLite refused the statement", d->err);
        error_set(d->err, ERR_SYNTAX, "SQLite refused the statement: %s",
                  sqlite3_errmsg(d->db->db));
        status = error_source(d->err, d->catalog->name);
    } else if (!stmt || sqlite3_column_count(stmt) == 0 || !sqlite3_stmt_readonly(stmt)) {
        status =
            error_set(d->err, ERR_SYNTAX,
                      "only a statement that returns rows and changes nothing can be passed on");
    } else if (str_trim(str_from(rest)).len) {
        status = error_set(d->err, ERR_SYNTAX, "only one statement can be passed on");
    } else if (sqlite3_bind_parameter_count(stmt)) {
        status = error_set(d->err, ERR_SYNTAX, "a statement that is passed on takes no parameters");
    } else {
        status = passthrough_columns(d, stmt);
    }
    sqlite3_finalize(stmt);
    TRY(status);
    for (uint32_t i = 0; i < d->table.ncolumns; i++) {
        TRY_ALLOC(d->columns[i].facts, lite_facts_text(d->arena, d->facts[i]), d->err);
    }
    d->table.size = sizeof d->table;
    d->table.schema = SCHEMA;
    d->table.name = d->name;
    d->table.kind = TRIB_TABLE_VIEW;
    d->table.facts = LITE_QUERY_FACTS;
    d->table.columns = d->columns;
    return names->described(names->self, &d->table, d->err);
}

Status lite_passthrough(TribCatalog *catalog, TribCall *call, const char *text, TribNames *names,
                        TribError *err) {
    Arena *arena;
    Describe d = {.catalog = catalog, .err = err, .name = text, .view = true};
    TRY_ALLOC(arena, arena_new(NULL), err);
    d.arena = arena;
    Status status = lite_take(catalog, call, NULL, &d.db, err);
    if (status == TRIB_OK) {
        status = passthrough_prepare(&d, names);
        lite_give(catalog, d.db);
    }
    arena_free(arena);
    return status;
}
