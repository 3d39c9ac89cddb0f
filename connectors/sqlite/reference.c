/*
 * reference.c - foreign keys, from pragma_foreign_key_list.
 *
 * SQLite keeps no names of them: a foreign key is called fk_<table>_<number in the pragma's order>. One that
 * names no column refers to the primary key; one whose table or key is not there says nothing.
 * Threads: under the connection that was taken. Memory: SQLite's, for the row at hand.
 */
#include "connectors/sqlite/sqlite_internal.h"

static const struct {
    const char *text;
    TribReferenceRule rule;
} rules[] = {{"NO ACTION", TRIB_RULE_NO_ACTION},
             {"RESTRICT", TRIB_RULE_RESTRICT},
             {"CASCADE", TRIB_RULE_CASCADE},
             {"SET NULL", TRIB_RULE_SET_NULL},
             {"SET DEFAULT", TRIB_RULE_SET_DEFAULT}};

enum { R_NAME, R_ORDINAL, R_TABLE, R_COLUMN, R_TO_TABLE, R_TO_COLUMN, R_UPDATE, R_DELETE };

static const char *text_at(sqlite3_stmt *stmt, int column) {
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? text : "";
}

static TribReferenceRule rule_at(sqlite3_stmt *stmt, int column) {
    for (size_t i = 0; i < COUNT_OF(rules); i++)
        if (sqlite3_stricmp(rules[i].text, text_at(stmt, column)) == 0) return rules[i].rule;
    return TRIB_RULE_NO_ACTION;
}

static bool reference_give(const TribCatalog *catalog, sqlite3_stmt *stmt, TribNames *names) {
    TribReference reference = {.size = sizeof reference,
                               .name = text_at(stmt, R_NAME),
                               .schema = "main",
                               .table = text_at(stmt, R_TABLE),
                               .column = text_at(stmt, R_COLUMN),
                               .to_schema = "main",
                               .to_table = text_at(stmt, R_TO_TABLE),
                               .to_column = text_at(stmt, R_TO_COLUMN),
                               .ordinal = (uint32_t)sqlite3_column_int(stmt, R_ORDINAL) + 1,
                               .on_update = rule_at(stmt, R_UPDATE),
                               .on_delete = rule_at(stmt, R_DELETE)};
    if (lite_hidden(catalog, reference.table) || lite_hidden(catalog, reference.to_table))
        return true;
    return names->reference(names->self, &reference);
}

static Status references_read(TribCatalog *catalog, LiteDb *db, const char *table, bool incoming,
                              TribNames *names, Error *err) {
    static const char all[] =
        "SELECT 'fk_' || c.name || '_' || f.id, f.seq, c.name, f.\"from\", p.name, "
        "coalesce(f.\"to\", k.name), f.on_update, f.on_delete "
        "FROM main.sqlite_schema AS c, pragma_foreign_key_list(c.name, 'main') AS f, "
        "main.sqlite_schema AS p LEFT JOIN pragma_table_xinfo(p.name, 'main') AS k "
        "ON f.\"to\" IS NULL AND k.pk = f.seq + 1 "
        "WHERE c.type = 'table' AND p.type = 'table' AND p.name = f.\"table\" COLLATE NOCASE "
        "AND coalesce(f.\"to\", k.name) IS NOT NULL AND ";
    sqlite3_stmt *stmt;
    bool row, more = true;
    char *sql = sqlite3_mprintf("%s%s = ?1 ORDER BY c.name, f.id, f.seq", all,
                                incoming ? "p.name" : "c.name");
    if (!sql) return error_out_of_memory(err);
    Status status = lite_prepare(catalog, db, sql, strlen(sql), &stmt, err);
    sqlite3_free(sql);
    if (status != TRIB_OK) return status;
    sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
    status = lite_step(catalog, db, stmt, &row, err);
    while (status == TRIB_OK && row && more) {
        more = reference_give(catalog, stmt, names);
        status = lite_step(catalog, db, stmt, &row, err);
    }
    sqlite3_finalize(stmt);
    return status;
}

TribStatus lite_list_references(TribCatalog *catalog, TribCall *call, const char *schema,
                                const char *table, bool incoming, TribNames *names,
                                TribError *err) {
    LiteDb *db;
    if (strcmp(schema, "main") != 0) return TRIB_OK;
    TRY(lite_take(catalog, call, NULL, &db, err));
    Status status = references_read(catalog, db, table, incoming, names, err);
    lite_give(catalog, db);
    return status;
}
