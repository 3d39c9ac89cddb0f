/*
 * ddl.c - tables, columns and indexes of an SQLite file, made and dropped.
 *
 * A declared type is chosen so that lite_type reads the same type from it, or a wider one that holds every
 * value (real is read as double); whole numbers narrower than 64 bits and char(n) get a CHECK that proves it
 * (bounds.c); what SQLite cannot keep is refused. DEFAULTs are literals of SQLite. One thread per call; memory
 * in an arena of the call.
 */
#include <math.h>

#include "connectors/sqlite/sqlite_internal.h"
#include "engine/base/calendar.h"
#include "engine/base/decimal.h"

static Status refuse_type(const TribColumn *column, const char *what, Error *err) {
    return error_set(err, ERR_UNSUPPORTED, "column \"%s\": SQLite has no type for %s", column->name,
                     what);
}

static Status type_text(const TribColumn *column, Buf *out, Error *err) {
    TribType type = column->type;
    switch (type.id) {
    case TRIB_TYPE_BOOLEAN: buf_text(out, "BOOLEAN"); return TRIB_OK;
    case TRIB_TYPE_TINYINT: buf_text(out, "TINYINT"); return TRIB_OK;
    case TRIB_TYPE_SMALLINT: buf_text(out, "SMALLINT"); return TRIB_OK;
    case TRIB_TYPE_INTEGER: buf_text(out, "INTEGER"); return TRIB_OK;
    case TRIB_TYPE_BIGINT: buf_text(out, "BIGINT"); return TRIB_OK;
    case TRIB_TYPE_REAL: buf_text(out, "REAL"); return TRIB_OK;
    case TRIB_TYPE_DOUBLE: buf_text(out, "DOUBLE"); return TRIB_OK;
    case TRIB_TYPE_DECIMAL:
        /* as a number SQLite keeps 15 digits; the affinity of this name is TEXT */
        buf_printf(out, "%s(%u,%d)", type.precision > 15 ? "DECIMAL_TEXT" : "DECIMAL",
                   type.precision, type.scale);
        return TRIB_OK;
    case TRIB_TYPE_CHAR:
    case TRIB_TYPE_VARCHAR:
        if (type.length == TRIB_LENGTH_LONG)
            buf_text(out, "LONGVARCHAR");
        else if (type.length)
            buf_printf(out, "%s(%u)", type.id == TRIB_TYPE_CHAR ? "CHAR" : "VARCHAR", type.length);
        else
            buf_text(out, "TEXT");
        return TRIB_OK;
    case TRIB_TYPE_VARBINARY:
        buf_text(out, type.length == TRIB_LENGTH_LONG ? "LONGBLOB" : "BLOB");
        return TRIB_OK;
    case TRIB_TYPE_DATE: buf_text(out, "DATE"); return TRIB_OK;
    case TRIB_TYPE_TIME: buf_printf(out, "TIME(%u)", type.precision); return TRIB_OK;
    case TRIB_TYPE_TIMESTAMP: buf_printf(out, "TIMESTAMP(%u)", type.precision); return TRIB_OK;
    case TRIB_TYPE_UUID: buf_text(out, "UUID"); return TRIB_OK;
    case TRIB_TYPE_TIMESTAMP_TZ:
    case TRIB_TYPE_TIME_TZ: return refuse_type(column, "values with a time zone", err);
    case TRIB_TYPE_JSON: return refuse_type(column, "JSON (use VARCHAR)", err);
    case TRIB_TYPE_INTERVAL_DS:
    case TRIB_TYPE_INTERVAL_YM: return refuse_type(column, "intervals", err);
    default: return refuse_type(column, "arrays, maps and rows", err);
    }
}

static void literal_text(const TribValue *v, Buf *out) {
    char text[CALENDAR_TEXT_MAX + DECIMAL_TEXT_MAX];
    size_t n;
    switch (v->type.id) {
    case TRIB_TYPE_REAL:
    case TRIB_TYPE_DOUBLE:
        sqlite3_snprintf(sizeof text, text, "%!.17g", v->as.real);
        buf_text(out, text);
        return;
    case TRIB_TYPE_DECIMAL:
        n = decimal_format(v->type.precision <= 18 ? (Int128)v->as.integer : v->as.wide,
                           v->type.scale, text);
        buf_printf(out, "'%.*s'", (int)n, text);
        return;
    case TRIB_TYPE_DATE: n = date_format_iso((int32_t)v->as.integer, text); break;
    case TRIB_TYPE_TIME: n = time_format_iso(v->as.integer, v->type.precision, text); break;
    case TRIB_TYPE_TIMESTAMP:
        n = v->type.precision > 6
                ? timestamp_format_iso(v->as.instant.us, v->as.instant.ns, v->type.precision, text)
                : timestamp_format_iso(v->as.integer, 0, v->type.precision, text);
        break;
    case TRIB_TYPE_VARCHAR:
    case TRIB_TYPE_CHAR:
        buf_char(out, '\'');
        for (size_t i = 0; i < v->as.text.length; i++) {
            if (v->as.text.data[i] == '\'') buf_char(out, '\'');
            buf_char(out, v->as.text.data[i]);
        }
        buf_char(out, '\'');
        return;
    case TRIB_TYPE_VARBINARY:
        buf_text(out, "x'");
        for (size_t i = 0; i < v->as.text.length; i++)
            buf_printf(out, "%02x", (unsigned)(uint8_t)v->as.text.data[i]);
        buf_char(out, '\'');
        return;
    default: buf_printf(out, "%lld", (long long)v->as.integer); return;
    }
    buf_printf(out, "'%.*s'", (int)n, text);
}

static Status default_text(const TribDdl *ddl, uint32_t column, Buf *out, Error *err) {
    if (!ddl->defaults || ddl->defaults[column] == UINT32_MAX) return TRIB_OK;
    const TribNode *node = &ddl->nodes[ddl->defaults[column]];
    const TribColumn *c = &ddl->table->columns[column];
    buf_text(out, " DEFAULT ");
    if (node->kind == TRIB_NODE_LITERAL) {
        const TribValue *value = &ddl->values[node->ref];
        bool nul =
            !value->is_null && value->type.id == TRIB_TYPE_VARCHAR &&
            memchr(value->as.text.data ? value->as.text.data : "", '\0', value->as.text.length);
        bool finite =
            value->is_null || value->type.id != TRIB_TYPE_DOUBLE || isfinite(value->as.real);
        if (nul || !finite || value->type.id == TRIB_TYPE_UUID)
            return error_set(err, ERR_UNSUPPORTED,
                             "column \"%s\": SQLite has no literal for this DEFAULT", c->name);
        TribValue stored = *value;
        if (c->type.id == TRIB_TYPE_CHAR) lite_unpad(&stored);
        if (value->is_null)
            buf_text(out, "NULL");
        else
            literal_text(&stored, out);
        return TRIB_OK;
    }
    if (node->op == TRIB_FN_current_date && c->type.id == TRIB_TYPE_DATE) {
        buf_text(out, "CURRENT_DATE"); /* SQLite's is of UTC, like the stored values */
        return TRIB_OK;
    }
    return error_set(err, ERR_UNSUPPORTED,
                     "column \"%s\": SQLite cannot compute this DEFAULT as Tributary does",
                     c->name);
}

static void constraint_name(const TribKey *key, Buf *out) {
    if (!key->name) return;
    buf_text(out, "CONSTRAINT ");
    lite_dialect.quote(out, str_from(key->name));
    buf_char(out, ' ');
}

/* key: the primary key, where it is this column alone and the rowid. */
static Status column_text(const TribDdl *ddl, uint32_t index, const TribKey *key, Buf *out,
                          Error *err) {
    const TribColumn *column = &ddl->table->columns[index];
    lite_dialect.quote(out, str_from(column->name));
    buf_char(out, ' ');
    const bool numbered = ddl->table->identity == index + 1;
    if (key || numbered)
        buf_text(out, "INTEGER"); /* of this name only is a primary key the rowid */
    else
        TRY(type_text(column, out, err));
    if (key || numbered) {
        buf_char(out, ' ');
        if (key) constraint_name(key, out);
        buf_text(out, numbered ? "PRIMARY KEY AUTOINCREMENT" : "PRIMARY KEY");
    }
    if (!column->nullable) buf_text(out, " NOT NULL");
    TRY(default_text(ddl, index, out, err));
    lite_proof_text(column, out);
    return TRIB_OK;
}

static void keys_text(const TribTable *table, const TribKey *skip, Buf *out) {
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        if (key == skip) continue;
        buf_text(out, ", ");
        constraint_name(key, out);
        buf_text(out, key->primary ? "PRIMARY KEY (" : "UNIQUE (");
        for (uint32_t i = 0; i < key->ncolumns; i++) {
            if (i) buf_text(out, ", ");
            lite_dialect.quote(out, str_from(table->columns[key->columns[i]].name));
        }
        buf_char(out, ')');
    }
}

/* An integer column that is the whole primary key becomes the rowid: it stands at the column itself. */
static const TribKey *rowid_key(const TribTable *table) {
    for (uint32_t k = 0; k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        if (!key->primary || key->ncolumns != 1) continue;
        uint8_t id = table->columns[key->columns[0]].type.id;
        if (table->identity == key->columns[0] + 1) return key;
        if (id == TRIB_TYPE_INTEGER || id == TRIB_TYPE_SMALLINT || id == TRIB_TYPE_TINYINT)
            return key;
    }
    return NULL;
}

/* SQLite numbers the rowid: the column must be the whole primary key, and becomes it where there is none. */
static Status identity_check(const TribTable *table, Error *err) {
    for (uint32_t k = 0; table->identity && k < table->nkeys; k++) {
        const TribKey *key = &table->keys[k];
        if (!key->primary || (key->ncolumns == 1 && key->columns[0] + 1 == table->identity))
            continue;
        return error_set(err, ERR_UNSUPPORTED,
                         "column \"%s\": SQLite numbers a column only if it is the primary key",
                         table->columns[table->identity - 1].name);
    }
    return TRIB_OK;
}

static Status create_text(const TribDdl *ddl, Buf *out, Error *err) {
    const TribTable *table = ddl->table;
    const TribKey *rowid = rowid_key(table);
    TRY(identity_check(table, err));
    buf_text(out, "CREATE TABLE ");
    if (ddl->if_exists) buf_text(out, "IF NOT EXISTS ");
    lite_dialect.table(NULL, out, table);
    buf_text(out, " (");
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (i) buf_text(out, ", ");
        TRY(column_text(ddl, i, rowid && rowid->columns[0] == i ? rowid : NULL, out, err));
    }
    keys_text(table, rowid, out);
    buf_char(out, ')');
    return TRIB_OK;
}

static void index_text(const TribDdl *ddl, Buf *out) {
    buf_printf(out, "CREATE %sINDEX %smain.", ddl->index->unique ? "UNIQUE " : "",
               ddl->if_exists ? "IF NOT EXISTS " : "");
    lite_dialect.quote(out, str_from(ddl->index->name));
    buf_text(out, " ON ");
    lite_dialect.quote(out, str_from(ddl->table->name));
    for (uint32_t i = 0; i < ddl->index->ncolumns; i++) {
        buf_text(out, i ? ", " : " (");
        lite_dialect.quote(out, str_from(ddl->table->columns[ddl->index->columns[i].column].name));
        if (ddl->index->columns[i].descending) buf_text(out, " DESC");
    }
    buf_char(out, ')');
}

static void table_text(const char *verb, const TribDdl *ddl, Buf *out) {
    buf_printf(out, "%s main.", verb);
    lite_dialect.quote(out, str_from(ddl->name));
}

static Status ddl_text(const TribDdl *ddl, Buf *out, Error *err) {
    switch (ddl->kind) {
    case TRIB_DDL_CREATE_TABLE: return create_text(ddl, out, err);
    case TRIB_DDL_DROP_TABLE:
        table_text(ddl->if_exists ? "DROP TABLE IF EXISTS" : "DROP TABLE", ddl, out);
        return TRIB_OK;
    case TRIB_DDL_TRUNCATE: table_text("DELETE FROM", ddl, out); return TRIB_OK;
    case TRIB_DDL_RENAME_TABLE:
        table_text("ALTER TABLE", ddl, out);
        buf_text(out, " RENAME TO ");
        lite_dialect.quote(out, str_from(ddl->new_name));
        return TRIB_OK;
    case TRIB_DDL_ADD_COLUMN:
        table_text("ALTER TABLE", ddl, out);
        buf_text(out, " ADD COLUMN ");
        return column_text(ddl, 0, NULL, out, err);
    case TRIB_DDL_DROP_COLUMN:
    case TRIB_DDL_RENAME_COLUMN:
        table_text("ALTER TABLE", ddl, out);
        buf_text(out, ddl->kind == TRIB_DDL_DROP_COLUMN ? " DROP COLUMN " : " RENAME COLUMN ");
        lite_dialect.quote(out, str_from(ddl->column));
        if (!ddl->new_name) return TRIB_OK;
        buf_text(out, " TO ");
        lite_dialect.quote(out, str_from(ddl->new_name));
        return TRIB_OK;
    case TRIB_DDL_CREATE_INDEX: index_text(ddl, out); return TRIB_OK;
    case TRIB_DDL_DROP_INDEX:
        buf_text(out, ddl->if_exists ? "DROP INDEX IF EXISTS main." : "DROP INDEX main.");
        lite_dialect.quote(out, str_from(ddl->index->name));
        return TRIB_OK;
    default:
        return error_set(err, ERR_UNSUPPORTED,
                         "an SQLite file has one schema: none can be created or dropped");
    }
}

/* SQLite says in words that an object is there or is not. */
static Status ddl_error(const TribDdl *ddl, Error *err) {
    bool index = ddl->kind == TRIB_DDL_CREATE_INDEX || ddl->kind == TRIB_DDL_DROP_INDEX;
    ErrorCode code = ERR_GENERAL;
    if (strstr(err->message, "already exists")) code = index ? ERR_INDEX_EXISTS : ERR_TABLE_EXISTS;
    if (strstr(err->message, "another table or index with this name")) code = ERR_TABLE_EXISTS;
    if (strstr(err->message, "no such index")) code = ERR_INDEX_NOT_FOUND;
    if (strstr(err->message, "no such table")) code = ERR_TABLE_NOT_FOUND;
    if (strstr(err->message, "duplicate column name")) code = ERR_COLUMN_EXISTS;
    if (code == ERR_GENERAL) return err->status;
    Error old = *err;
    error_set(err, code, "%s", old.message);
    err->native = old.native;
    return error_source(err, old.source);
}

Status lite_ddl_in(TribCatalog *catalog, LiteDb *db, const TribDdl *ddl, Error *err) {
    Arena *arena;
    Buf text;
    TRY_ALLOC(arena, arena_new(NULL), err);
    buf_init(&text, arena, 1000 * 1000);
    Status status = ddl_text(ddl, &text, err);
    if (status == TRIB_OK) status = buf_status(&text, err);
    if (status != TRIB_OK) {
        status = error_source(err, catalog->name);
    } else if (ddl->plan_only) {
        if (ddl->explain.text) ddl->explain.text(ddl->explain.self, text.data);
    } else {
        status = lite_exec(catalog, db, text.data, err);
        if (status != TRIB_OK) status = ddl_error(ddl, err);
    }
    arena_free(arena);
    return status;
}

TribStatus lite_ddl(TribCatalog *catalog, TribCall *call, const TribDdl *ddl, TribError *err) {
    LiteDb *db;
    if (!ddl->plan_only) TRY(lite_writable(catalog, err));
    TRY(lite_take(catalog, call, NULL, &db, err));
    Status status = lite_ddl_in(catalog, db, ddl, err);
    lite_give(catalog, db);
    return status;
}
