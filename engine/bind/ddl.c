/*
 * ddl.c - CREATE, DROP, ALTER TABLE, schemas, indexes and TRUNCATE as requests to the source (TribDdl).
 *
 * Types are given in the dialect; the source maps them or refuses them. A DEFAULT is a constant, or one of
 * the functions of the session that have no arguments. One thread, everything in the binder's arena.
 */
#include "engine/bind/write.h"
#include "engine/catalog/views.h"

/* ---------------------------------------------------------------- targets */

/* The catalog and schema before the last part of a name; `name` gets the last part. */
Status bind_target(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    const AstQualifiedName *q = &ast->name;
    Str parts[3];
    if (q->count == 0 || q->count > 3) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a table's name has one to three parts");
    }
    for (uint32_t i = 0; i + 1 < q->count; i++) parts[i] = q->parts[i].text;
    TRY(bind_refuse_early(binder, q));
    TRY_ALLOC(out->name, str_dup(binder->arena, q->parts[q->count - 1].text), binder->err);
    Status status = catalog_resolve_schema(&binder->context->lookup, q->count - 1, parts,
                                           binder->arena, &out->catalog, &out->schema, binder->err);
    if (status == TRIB_OK) return TRIB_OK;
    binder->err->line = q->parts[0].at.line;
    binder->err->column = q->parts[0].at.column;
    return status;
}

static void release_ref(void *table) {
    table_release(table);
}

Status bind_existing(Binder *binder, const AstQualifiedName *q, BoundStatement *out,
                     TableRef **table) {
    Str parts[3];
    if (q->count == 0 || q->count > 3)
        return error_set(binder->err, ERR_SYNTAX, "a table's name has one to three parts");
    for (uint32_t i = 0; i < q->count; i++) parts[i] = q->parts[i].text;
    TRY(bind_refuse_early(binder, q));
    LookupContext lookup = binder->context->lookup;
    lookup.no_views = true; /* DROP TABLE IF EXISTS v: a view is no table of that name */
    TRY(catalog_lookup_table(&lookup, q->count, parts, binder->arena, table, NULL, binder->err));
    if (!arena_on_reset(binder->arena, release_ref, *table)) {
        table_release(*table);
        return error_out_of_memory(binder->err);
    }
    if (catalog_holds_views((*table)->catalog)) {
        return error_set(binder->err, ERR_UNSUPPORTED, "'%s' is a view: it cannot be changed so",
                         (*table)->table.name);
    }
    out->catalog = (*table)->catalog;
    out->schema = (*table)->table.schema;
    out->name = (*table)->table.name;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- columns and keys */

/*
 * What a definition means where it says no size: the standard's FLOAT holds what a double does, its TIMESTAMP has
 * six digits (and TIME, which programs fill from the same clock); names of large objects make a text, or bytes, that are
 * reported as long.
 */
static Type column_type(Str text, Type type) {
    static const char *const long_texts[] = {"text",     "clob",          "nclob",    "longvarchar",
                                             "longtext", "mediumtext",    "tinytext", "ntext",
                                             "blob",     "longvarbinary", "longblob", "mediumblob",
                                             "tinyblob", "image",         "bytea"};
    static const char *const clocks[] = {"timestamp", "time", "datetime", "datetime2"};
    if (str_equal_fold(text, STR("float"))) return TYPE(DOUBLE);
    for (size_t i = 0; i < COUNT_OF(clocks); i++)
        if (str_equal_fold(text, str_from(clocks[i]))) type.precision = 6;
    for (size_t i = 0; i < COUNT_OF(long_texts); i++)
        if (str_equal_fold(text, str_from(long_texts[i]))) type.length = TRIB_LENGTH_LONG;
    return type;
}

/* 1 + the column that is numbered; 0: none. It is never NULL, and needs no DEFAULT. */
static Status identity_bind(Binder *binder, uint32_t count, const AstColumnDef *defs,
                            TribColumn *columns, uint32_t *out) {
    *out = 0;
    for (uint32_t i = 0; i < count; i++) {
        const AstName *name = &defs[i].name;
        if (!defs[i].identity) continue;
        bool whole =
            columns[i].type.id >= TRIB_TYPE_TINYINT && columns[i].type.id <= TRIB_TYPE_BIGINT;
        const char *why = *out                    ? "a table numbers one column only"
                          : !whole                ? "only whole numbers can be counted"
                          : defs[i].default_value ? "a column that is numbered has no DEFAULT"
                                                  : NULL;
        if (why)
            return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                                "column '" STR_FORMAT "': %s", STR_ARGS(name->text), why);
        columns[i].nullable = false;
        *out = i + 1;
    }
    return TRIB_OK;
}

static Status column_bind(Binder *binder, const AstColumnDef *def, TribColumn *out) {
    Type type;
    *out = (TribColumn){.nullable = !def->not_null, .distinct = -1, .null_fraction = -1};
    Status status = type_parse(binder->arena, def->type_text, &type, binder->err);
    if (status != TRIB_OK) {
        binder->err->line = def->name.at.line;
        binder->err->column = def->name.at.column;
        return status;
    }
    out->type = column_type(def->type_text, type);
    TRY_ALLOC(out->name, str_dup(binder->arena, def->name.text), binder->err);
    if (def->comment.len)
        TRY_ALLOC(out->comment, str_dup(binder->arena, def->comment), binder->err);
    return TRIB_OK;
}

/* The functions that a DEFAULT may call, which take no arguments. */
static bool session_call(const AstExpr *value, uint16_t *op) {
    if (value->kind != AST_CURRENT) return false;
    *op = value->op;
    return true;
}

/* One DEFAULT as a node of the request. */
static Status default_node(Binder *binder, const AstColumnDef *def, TribColumn *column,
                           TribNode *node, TribValue *value) {
    ExprScope scope = {.clause = "DEFAULT"};
    Expr *e;
    Buf text;
    uint16_t op;
    buf_init(&text, binder->arena, 1 << 20);
    ast_print_expr(&text, def->default_value);
    TRY(buf_status(&text, binder->err));
    TRY_ALLOC(column->default_sql, str_dup(binder->arena, buf_view(&text)), binder->err);
    TRY(bind_expr(binder, &scope, def->default_value, &e));
    if (session_call(def->default_value, &op)) {
        *node = (TribNode){.kind = TRIB_NODE_CALL, .op = op, .type = e->type};
        return TRIB_OK;
    }
    TRY(bind_coerce(binder, e, column->type, &e));
    TRY(expr_fold(binder->arena, binder->context->session, e, &e, binder->err));
    if (e->kind != EXPR_CONSTANT)
        return bind_unsupported(binder, def->default_value->at, "a DEFAULT that is no constant");
    *value = e->as.value;
    value->type = column->type;
    *node = (TribNode){.kind = TRIB_NODE_LITERAL, .type = column->type};
    return TRIB_OK;
}

static Status defaults_bind(Binder *binder, uint32_t count, const AstColumnDef *defs,
                            TribColumn *columns, TribDdl *ddl) {
    uint32_t *defaults;
    TribNode *nodes;
    TribValue *values;
    TRY_ALLOC(defaults, ARENA_ARRAY(binder->arena, uint32_t, count), binder->err);
    TRY_ALLOC(nodes, ARENA_ARRAY(binder->arena, TribNode, count), binder->err);
    TRY_ALLOC(values, ARENA_ARRAY(binder->arena, TribValue, count), binder->err);
    for (uint32_t i = 0; i < count; i++) {
        defaults[i] = UINT32_MAX;
        if (!defs[i].default_value) continue;
        TRY(default_node(binder, &defs[i], &columns[i], &nodes[ddl->nnodes],
                         &values[ddl->nvalues]));
        defaults[i] = ddl->nnodes;
        nodes[ddl->nnodes].ref = ddl->nvalues;
        if (nodes[ddl->nnodes].kind == TRIB_NODE_LITERAL) ddl->nvalues++;
        ddl->nnodes++;
    }
    ddl->defaults = defaults;
    ddl->nodes = nodes;
    ddl->values = values;
    return TRIB_OK;
}

/* One key of the new table; the columns of a primary one are NOT NULL. */
static Status key_add(Binder *binder, TribTable *table, TribKey *keys, const AstName *name,
                      bool primary, uint32_t ncolumns, const uint32_t *columns, AstPosition at) {
    TribKey *key = &keys[table->nkeys];
    *key = (TribKey){.primary = primary, .unique = true, .ncolumns = ncolumns, .columns = columns};
    for (uint32_t i = 0; i < table->nkeys; i++) {
        if (primary && keys[i].primary)
            return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                                "a table has one PRIMARY KEY");
        if (name->text.len && keys[i].name && str_equal_fold(str_from(keys[i].name), name->text))
            return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                                "the constraint '" STR_FORMAT "' is given twice",
                                STR_ARGS(name->text));
    }
    for (uint32_t i = 0; primary && i < ncolumns; i++)
        ((TribColumn *)table->columns)[columns[i]].nullable = false;
    if (name->text.len) TRY_ALLOC(key->name, str_dup(binder->arena, name->text), binder->err);
    table->nkeys++;
    return TRIB_OK;
}

static Status key_columns(Binder *binder, const AstTableKey *key, const TribTable *table,
                          uint32_t **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, key->ncolumns), binder->err);
    for (uint32_t i = 0; i < key->ncolumns; i++) {
        const AstName *name = &key->columns[i];
        uint32_t c = 0;
        while (c < table->ncolumns && !str_equal_fold(str_from(table->columns[c].name), name->text))
            c++;
        if (c == table->ncolumns)
            return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, name->at.line, name->at.column,
                                "there is no column '" STR_FORMAT "' in the table",
                                STR_ARGS(name->text));
        for (uint32_t j = 0; j < i; j++) {
            if ((*out)[j] == c)
                return error_set_at(binder->err, ERR_SYNTAX, name->at.line, name->at.column,
                                    "column '" STR_FORMAT "' is given twice", STR_ARGS(name->text));
        }
        (*out)[i] = c;
    }
    return TRIB_OK;
}

/* Those that stand at columns, then those that are elements of their own. */
static Status keys_bind(Binder *binder, uint32_t count, const AstColumnDef *defs, uint32_t nkeys,
                        const AstTableKey *asts, TribTable *table) {
    TribKey *keys;
    uint32_t *columns;
    TRY_ALLOC(keys, ARENA_ARRAY(binder->arena, TribKey, 2 * count + nkeys), binder->err);
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, uint32_t, count), binder->err);
    table->keys = keys;
    for (uint32_t i = 0; i < count; i++) {
        const AstColumnDef *def = &defs[i];
        columns[i] = i;
        if (def->primary_key)
            TRY(key_add(binder, table, keys, &def->primary_name, true, 1, &columns[i],
                        def->name.at));
        if (def->unique)
            TRY(key_add(binder, table, keys, &def->unique_name, false, 1, &columns[i],
                        def->name.at));
    }
    for (uint32_t k = 0; k < nkeys; k++) {
        uint32_t *list;
        TRY(key_columns(binder, &asts[k], table, &list));
        TRY(key_add(binder, table, keys, &asts[k].name, asts[k].primary, asts[k].ncolumns, list,
                    asts[k].at));
    }
    return TRIB_OK;
}

static Status check_names(Binder *binder, const TribTable *table, AstPosition at) {
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal_fold(str_from(table->columns[i].name), str_from(table->columns[j].name)))
                continue;
            return error_set_at(binder->err, ERR_COLUMN_EXISTS, at.line, at.column,
                                "column '%s' is given twice", table->columns[i].name);
        }
    }
    return TRIB_OK;
}

/* The definition of a new table, or of columns to be added. */
static Status definition_bind(Binder *binder, uint32_t count, const AstColumnDef *defs,
                              uint32_t nkeys, const AstTableKey *keys, BoundStatement *out,
                              TribDdl *ddl) {
    TribTable *table;
    TribColumn *columns;
    TRY_ALLOC(table, ARENA_NEW(binder->arena, TribTable), binder->err);
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, TribColumn, count), binder->err);
    for (uint32_t i = 0; i < count; i++) TRY(column_bind(binder, &defs[i], &columns[i]));
    *table = (TribTable){.size = sizeof *table,
                         .schema = out->schema,
                         .name = out->name,
                         .ncolumns = count,
                         .columns = columns,
                         .rows = -1,
                         .writable = true};
    TRY(identity_bind(binder, count, defs, columns, &table->identity));
    TRY(check_names(binder, table, out->ast->at));
    TRY(keys_bind(binder, count, defs, nkeys, keys, table));
    TRY(defaults_bind(binder, count, defs, columns, ddl));
    ddl->table = table;
    return TRIB_OK;
}

static Status bind_create(Binder *binder, const AstStatement *ast, BoundStatement *out,
                          TribDdl *ddl) {
    ddl->kind = TRIB_DDL_CREATE_TABLE;
    ddl->if_exists = ast->if_not_exists;
    TRY(bind_target(binder, ast, out));
    if (ast->ncolumns == 0)
        return error_set(binder->err, ERR_SYNTAX, "a table needs at least one column");
    TRY(definition_bind(binder, ast->ncolumns, ast->columns, ast->nkeys, ast->keys, out, ddl));
    if (ast->comment.len) {
        TribTable *table = (TribTable *)ddl->table;
        TRY_ALLOC(table->comment, str_dup(binder->arena, ast->comment), binder->err);
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- DROP, TRUNCATE, schemas */

/* A table that must be there, unless the statement says IF EXISTS: *absent then. */
static Status bind_present(Binder *binder, const AstStatement *ast, BoundStatement *out,
                           TribDdl *ddl, bool *absent) {
    TableRef *table;
    Status status = bind_existing(binder, &ast->name, out, &table);
    *absent = status == TRIB_NOT_FOUND && ast->if_exists;
    if (*absent) return TRIB_OK;
    TRY(status);
    ddl->table = &table->table;
    return TRIB_OK;
}

static Status bind_on_table(Binder *binder, const AstStatement *ast, BoundStatement *out,
                            TribDdl *ddl, TribDdlKind kind) {
    bool absent;
    ddl->kind = kind;
    ddl->if_exists = ast->if_exists;
    TRY(bind_present(binder, ast, out, ddl, &absent));
    out->nothing = absent;
    return TRIB_OK;
}

static Status bind_schema(Binder *binder, const AstStatement *ast, BoundStatement *out,
                          TribDdl *ddl) {
    /* the last part is the schema itself; what stands before it names the catalog */
    Str catalog;
    if (ast->name.count > 2)
        return error_set(binder->err, ERR_SYNTAX, "a schema's name has one or two parts");
    catalog = ast->name.count == 2 ? ast->name.parts[0].text : binder->context->lookup.catalog;
    TRY(catalogs_find(binder->context->lookup.catalogs, catalog, &out->catalog, binder->err));
    if (!out->catalog) {
        return error_set_at(binder->err, ERR_CATALOG_NAME, ast->at.line, ast->at.column,
                            "there is no catalog '" STR_FORMAT "'", STR_ARGS(catalog));
    }
    TRY(bind_writable(binder, out->catalog, ast->at));
    bool create = ast->kind == AST_CREATE_SCHEMA;
    ddl->kind = create ? TRIB_DDL_CREATE_SCHEMA : TRIB_DDL_DROP_SCHEMA;
    ddl->if_exists = create ? ast->if_not_exists : ast->if_exists;
    ddl->cascade = ast->cascade;
    TRY_ALLOC(out->schema, str_dup(binder->arena, ast->name.parts[ast->name.count - 1].text),
              binder->err);
    out->name = NULL;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- ALTER TABLE */

static const TribColumn *column_find(const TribTable *table, Str name) {
    for (uint32_t i = 0; i < table->ncolumns; i++) {
        if (str_equal_fold(str_from(table->columns[i].name), name)) return &table->columns[i];
    }
    return NULL;
}

static Status column_missing(Binder *binder, const TribTable *table, const AstName *name) {
    return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, name->at.line, name->at.column,
                        "table %s.%s has no column '" STR_FORMAT "'", table->schema, table->name,
                        STR_ARGS(name->text));
}

static Status bind_add_column(Binder *binder, const AstAlter *a, BoundStatement *out,
                              TribDdl *ddl) {
    const TribTable *table = ddl->table;
    ddl->kind = TRIB_DDL_ADD_COLUMN;
    if (a->ncolumns != 1)
        return bind_unsupported(binder, out->ast->at, "ADD COLUMNS with several columns");
    const AstName *name = &a->columns[0].name;
    const TribColumn *there = column_find(table, name->text);
    out->nothing = there && a->if_not_exists;
    if (out->nothing) return TRIB_OK;
    if (there) {
        return error_set_at(binder->err, ERR_COLUMN_EXISTS, name->at.line, name->at.column,
                            "table %s.%s has a column '%s' already", table->schema, table->name,
                            there->name);
    }
    if (a->columns[0].primary_key || a->columns[0].unique || a->columns[0].identity)
        return bind_unsupported(binder, name->at,
                                "ADD COLUMN with PRIMARY KEY, UNIQUE or IDENTITY");
    return definition_bind(binder, 1, a->columns, 0, NULL, out, ddl);
}

static Status bind_change_column(Binder *binder, const AstAlter *a, BoundStatement *out,
                                 TribDdl *ddl) {
    bool rename = a->action == AST_ALTER_RENAME_COLUMN;
    const AstName *name = &a->column.parts[0];
    ddl->kind = rename ? TRIB_DDL_RENAME_COLUMN : TRIB_DDL_DROP_COLUMN;
    if (a->column.count != 1) return bind_unsupported(binder, name->at, "a column inside a row");
    const TribColumn *column = column_find(ddl->table, name->text);
    out->nothing = !column && a->if_exists;
    if (out->nothing) return TRIB_OK;
    if (!column) return column_missing(binder, ddl->table, name);
    ddl->column = column->name;
    if (!rename) return TRIB_OK;
    const TribColumn *taken = column_find(ddl->table, a->new_column.text);
    if (taken && taken != column) {
        return error_set_at(binder->err, ERR_COLUMN_EXISTS, a->new_column.at.line,
                            a->new_column.at.column, "table %s.%s has a column '%s' already",
                            ddl->table->schema, ddl->table->name, taken->name);
    }
    TRY_ALLOC(ddl->new_name, str_dup(binder->arena, a->new_column.text), binder->err);
    return TRIB_OK;
}

/* RENAME TO new, s.new, c.s.new: a table stays in its schema. */
static Status bind_rename(Binder *binder, const AstAlter *a, BoundStatement *out, TribDdl *ddl) {
    const AstQualifiedName *q = &a->new_name;
    ddl->kind = TRIB_DDL_RENAME_TABLE;
    bool stays = q->count < 2 || str_equal_fold(q->parts[q->count - 2].text, str_from(out->schema));
    stays &= q->count < 3 || str_equal_fold(q->parts[0].text, str_from(catalog_name(out->catalog)));
    if (!stays || q->count > 3)
        return bind_unsupported(binder, q->parts[0].at, "RENAME TO another schema or catalog");
    TRY_ALLOC(ddl->new_name, str_dup(binder->arena, q->parts[q->count - 1].text), binder->err);
    return TRIB_OK;
}

static Status bind_alter(Binder *binder, const AstStatement *ast, BoundStatement *out,
                         TribDdl *ddl) {
    const AstAlter *a = ast->alter;
    TRY(bind_on_table(binder, ast, out, ddl, TRIB_DDL_RENAME_TABLE));
    if (out->nothing) return TRIB_OK;
    ddl->if_exists = false;
    switch (a->action) {
    case AST_ALTER_RENAME: return bind_rename(binder, a, out, ddl);
    case AST_ALTER_ADD_COLUMNS: return bind_add_column(binder, a, out, ddl);
    case AST_ALTER_DROP_COLUMN:
    case AST_ALTER_RENAME_COLUMN: return bind_change_column(binder, a, out, ddl);
    default: return bind_unsupported(binder, ast->at, "this form of ALTER TABLE");
    }
}

/* ---------------------------------------------------------------- indexes */

static Status bind_index(Binder *binder, const AstStatement *ast, BoundStatement *out,
                         TribDdl *ddl) {
    TribIndex *index;
    TribIndexColumn *columns;
    TRY_ALLOC(index, ARENA_NEW(binder->arena, TribIndex), binder->err);
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, TribIndexColumn, ast->nindex), binder->err);
    bool create = ast->kind == AST_CREATE_INDEX;
    const AstQualifiedName *q = &ast->index_name;
    TRY_ALLOC(index->name, str_dup(binder->arena, q->parts[q->count - 1].text), binder->err);
    ddl->kind = create ? TRIB_DDL_CREATE_INDEX : TRIB_DDL_DROP_INDEX;
    ddl->if_exists = create ? ast->if_not_exists : ast->if_exists;
    ddl->index = index;
    index->unique = ast->unique_index;
    index->columns = columns;
    index->ncolumns = ast->nindex;
    if (!ast->has_name) { /* DROP INDEX s.i: the source knows which table it is on */
        AstStatement by_name = {.name = *q, .at = ast->at};
        TRY(bind_target(binder, &by_name, out));
        out->name = NULL;
        return TRIB_OK;
    }
    TableRef *table;
    TRY(bind_existing(binder, &ast->name, out, &table));
    ddl->table = &table->table;
    for (uint32_t i = 0; i < ast->nindex; i++) {
        const TribColumn *column = column_find(&table->table, ast->index[i].column.text);
        if (!column) return column_missing(binder, &table->table, &ast->index[i].column);
        columns[i] = (TribIndexColumn){.column = (uint32_t)(column - table->table.columns),
                                       .descending = ast->index[i].descending};
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- all */

Status bind_ddl(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TribDdl *ddl;
    out->kind = BOUND_COMMAND;
    TRY_ALLOC(ddl, ARENA_NEW(binder->arena, TribDdl), binder->err);
    ddl->size = sizeof *ddl;
    out->ddl = ddl;
    Status status;
    switch (ast->kind) {
    case AST_CREATE_TABLE: status = bind_create(binder, ast, out, ddl); break;
    case AST_DROP_TABLE: status = bind_on_table(binder, ast, out, ddl, TRIB_DDL_DROP_TABLE); break;
    case AST_TRUNCATE_TABLE:
        status = bind_on_table(binder, ast, out, ddl, TRIB_DDL_TRUNCATE);
        break;
    case AST_ALTER_TABLE: status = bind_alter(binder, ast, out, ddl); break;
    case AST_CREATE_INDEX:
    case AST_DROP_INDEX: status = bind_index(binder, ast, out, ddl); break;
    default: status = bind_schema(binder, ast, out, ddl); break;
    }
    ddl->schema = out->schema;
    ddl->name = out->name;
    return status;
}
