/*
 * write.c - CREATE TABLE [AS], INSERT, DROP TABLE, CREATE and DROP SCHEMA.
 *
 * Rows are stored as the target's types: a value converts without being asked, or between numbers, or
 * between texts, with an error at the row that does not fit.
 */
#include "engine/bind/scope.h"

/* The catalog and schema before the last part of a name; `name` gets the last part. */
static Status resolve_target(Binder *binder, const AstStatement *ast, BoundStatement *out,
                             const char **name) {
    const AstQualifiedName *q = &ast->name;
    Str parts[3];
    if (q->count == 0 || q->count > 3) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a table's name has one to three parts");
    }
    for (uint32_t i = 0; i + 1 < q->count; i++) parts[i] = q->parts[i].text;
    TRY_ALLOC(*name, str_dup(binder->arena, q->parts[q->count - 1].text), binder->err);
    Status status = catalog_resolve_schema(&binder->context->lookup, q->count - 1, parts,
                                           binder->arena, &out->catalog, &out->schema, binder->err);
    if (status == TRIB_OK) return TRIB_OK;
    binder->err->line = q->parts[0].at.line;
    binder->err->column = q->parts[0].at.column;
    return status;
}

/* ---------------------------------------------------------------- definitions */

static Status table_new(Binder *binder, const BoundStatement *bound, const char *name,
                        uint32_t ncolumns, TribTable **out, TribColumn **columns) {
    TribTable *table;
    TRY_ALLOC(table, ARENA_NEW(binder->arena, TribTable), binder->err);
    TRY_ALLOC(*columns, ARENA_ARRAY(binder->arena, TribColumn, ncolumns), binder->err);
    *table = (TribTable){.size = sizeof *table,
                         .schema = bound->schema,
                         .name = name,
                         .ncolumns = ncolumns,
                         .columns = *columns,
                         .rows = -1,
                         .writable = true};
    *out = table;
    return TRIB_OK;
}

static Status column_define(Binder *binder, TribColumn *column, Str name, Type type, bool nullable,
                            AstPosition at) {
    *column = (TribColumn){.type = type, .nullable = nullable, .distinct = -1, .null_fraction = -1};
    if (type.id == TRIB_TYPE_UNKNOWN) {
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "column '" STR_FORMAT "' has no type; cast it", STR_ARGS(name));
    }
    TRY_ALLOC(column->name, str_dup(binder->arena, name), binder->err);
    return TRIB_OK;
}

static Status check_duplicates(Binder *binder, const TribTable *table, AstPosition at) {
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

static Status bind_create(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TribTable *table;
    TribColumn *columns;
    TRY(table_new(binder, out, out->name, ast->ncolumns, &table, &columns));
    for (uint32_t i = 0; i < ast->ncolumns; i++) {
        const AstColumnDef *def = &ast->columns[i];
        if (def->primary_key || def->unique)
            return bind_unsupported(binder, def->name.at, "PRIMARY KEY or UNIQUE");
        if (def->default_value) return bind_unsupported(binder, def->name.at, "DEFAULT");
        Type type;
        Status status = type_parse(binder->arena, def->type_text, &type, binder->err);
        if (status != TRIB_OK) {
            binder->err->line = def->name.at.line;
            binder->err->column = def->name.at.column;
            return status;
        }
        TRY(column_define(binder, &columns[i], def->name.text, type, !def->not_null, def->name.at));
    }
    if (table->ncolumns == 0)
        return error_set(binder->err, ERR_SYNTAX, "a table needs at least one column");
    TRY(check_duplicates(binder, table, ast->at));
    out->definition = table;
    return TRIB_OK;
}

Status bind_ddl(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    TRY(resolve_target(binder, ast, out, &out->name));
    if (ast->kind == AST_CREATE_TABLE) return bind_create(binder, ast, out);
    if (ast->kind == AST_CREATE_SCHEMA || ast->kind == AST_DROP_SCHEMA) {
        /* the last part is the schema itself; what stands before it names the catalog */
        Str parts[1];
        if (ast->name.count > 2)
            return error_set(binder->err, ERR_SYNTAX, "a schema's name has one or two parts");
        parts[0] = ast->name.count == 2 ? ast->name.parts[0].text : binder->context->lookup.catalog;
        TRY(catalogs_find(binder->context->lookup.catalogs, parts[0], &out->catalog, binder->err));
        if (!out->catalog) {
            return error_set_at(binder->err, ERR_CATALOG_NAME, ast->at.line, ast->at.column,
                                "there is no catalog '" STR_FORMAT "'", STR_ARGS(parts[0]));
        }
        out->schema = out->name;
        out->name = NULL;
    }
    return TRIB_OK;
}

/* ---------------------------------------------------------------- rows into a table */

static Status writable(Binder *binder, const BoundStatement *bound, AstPosition at) {
    Source *source;
    TRY(catalog_source(bound->catalog, &source, binder->err));
    if (source_connector(source)->write_open) return TRIB_OK;
    error_set_at(binder->err, ERR_UNSUPPORTED, at.line, at.column,
                 "catalog '%s' (%s) cannot be written to", catalog_name(bound->catalog),
                 catalog_type(bound->catalog));
    return error_source(binder->err, catalog_name(bound->catalog));
}

static Status write_node(Binder *binder, BoundStatement *out, LogicalNode *input,
                         TribWriteKind kind, TribTable *table, uint32_t ncolumns,
                         uint32_t *columns) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_WRITE, 0, input, &node));
    node->write = kind;
    node->write_catalog = out->catalog;
    node->write_schema = table->schema;
    node->write_name = table->name;
    node->write_table = table;
    node->nwrite_columns = ncolumns;
    node->write_columns = columns;
    node->if_not_exists = out->ast->if_not_exists;
    binder->plan->root = node;
    out->kind = BOUND_WRITE;
    out->plan = binder->plan;
    return TRIB_OK;
}

static Status all_columns(Binder *binder, uint32_t n, uint32_t **out) {
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, n), binder->err);
    for (uint32_t i = 0; i < n; i++) (*out)[i] = i;
    return TRIB_OK;
}

static Status bind_create_as(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Bound query;
    TRY(bind_query(binder, ast->query, NULL, NULL, &query));
    uint32_t n = query.scope.count, *columns;
    if (ast->nnames && ast->nnames != n) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%u column names are given for %u columns", ast->nnames, n);
    }
    TribTable *table;
    TribColumn *defs;
    TRY(table_new(binder, out, out->name, n, &table, &defs));
    for (uint32_t i = 0; i < n; i++) {
        const PlanColumn *c = plan_column(&binder->plan->columns, query.scope.columns[i].id);
        Str name = ast->nnames ? ast->names[i].text : query.scope.columns[i].name;
        TRY(column_define(binder, &defs[i], name, c->type, true, ast->at));
    }
    TRY(check_duplicates(binder, table, ast->at));
    TRY(all_columns(binder, n, &columns));
    LogicalNode *input = query.node;
    if (ast->with_no_data) {
        TRY(bind_node_same(binder, LOGICAL_LIMIT, input, &input));
        Value zero = {.type = TYPE(BIGINT)};
        TRY_ALLOC(input->limit, expr_constant(binder->arena, zero), binder->err);
    }
    return write_node(binder, out, input, TRIB_WRITE_CREATE, table, n, columns);
}

static bool assignable(Type from, Type to) {
    if (type_coercible(from, to)) return true;
    if (type_is_numeric(from) && type_is_numeric(to)) return true;
    return type_is_text(from) && type_is_text(to);
}

static Status insert_columns(Binder *binder, const AstStatement *ast, const TribTable *table,
                             uint32_t *count, uint32_t **out) {
    if (ast->nnames == 0) {
        *count = 0;
        TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, table->ncolumns), binder->err);
        for (uint32_t i = 0; i < table->ncolumns; i++) {
            if (!table->columns[i].hidden) (*out)[(*count)++] = i;
        }
        return TRIB_OK;
    }
    *count = ast->nnames;
    TRY_ALLOC(*out, ARENA_ARRAY(binder->arena, uint32_t, ast->nnames), binder->err);
    for (uint32_t i = 0; i < ast->nnames; i++) {
        uint32_t c = 0;
        while (c < table->ncolumns &&
               !str_equal_fold(str_from(table->columns[c].name), ast->names[i].text))
            c++;
        if (c == table->ncolumns) {
            return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, ast->names[i].at.line,
                                ast->names[i].at.column,
                                "table %s.%s has no column '" STR_FORMAT "'", table->schema,
                                table->name, STR_ARGS(ast->names[i].text));
        }
        for (uint32_t j = 0; j < i; j++) {
            if ((*out)[j] == c) {
                return error_set_at(
                    binder->err, ERR_SYNTAX, ast->names[i].at.line, ast->names[i].at.column,
                    "column '" STR_FORMAT "' is given twice", STR_ARGS(ast->names[i].text));
            }
        }
        (*out)[i] = c;
    }
    return TRIB_OK;
}

/* The query's columns as the target's types, one per written column. */
static Status convert_rows(Binder *binder, const AstStatement *ast, const TribTable *table,
                           const Bound *query, uint32_t n, const uint32_t *columns,
                           LogicalNode **out) {
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, query->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *target = &table->columns[columns[i]];
        Expr *column;
        TRY(bind_column(binder, query->scope.columns[i].id, &column));
        if (!assignable(column->type, target->type)) {
            return error_set_at(
                binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                "column '%s' is of type %s; a value of type %s cannot be stored in it",
                target->name, type_id_name((TypeId)target->type.id),
                type_id_name((TypeId)column->type.id));
        }
        /* CAST would cut a text that is too long; op_write refuses it instead */
        Type type = target->type;
        if (type.id == TRIB_TYPE_VARCHAR && type_is_text(column->type)) type.length = 0;
        TRY(bind_coerce(binder, column, type, &node->exprs[i]));
        TRY(bind_new_column(binder, str_from(target->name), target->type, true, &node->output[i]));
    }
    *out = node;
    return TRIB_OK;
}

/* INSERT ... VALUES (?, ?) and INSERT ... SELECT ?: parameters take the types of the columns that they go into. */
static Status type_value_parameters(Binder *binder, const Bound *query, const TribTable *table,
                                    uint32_t n, const uint32_t *columns) {
    LogicalNode *values = query->node;
    for (uint32_t i = 0; i < n; i++)
        bind_adopt(binder, values, query->scope.columns[i].id, table->columns[columns[i]].type);
    if (values->kind != LOGICAL_VALUES) return TRIB_OK;
    for (uint32_t i = 0; i < n && i < values->noutput; i++) {
        bool only_parameters = true;
        for (uint32_t r = 0; r < values->nrows; r++)
            only_parameters &= values->value_rows[r][i]->kind == EXPR_PARAMETER;
        if (!only_parameters) continue;
        Type type = table->columns[columns[i]].type;
        binder->plan->columns.columns[values->output[i]].type = type;
        for (uint32_t r = 0; r < values->nrows; r++) {
            Expr *e = values->value_rows[r][i];
            e->type = type;
            binder->plan->parameter_types[e->as.slot] = type;
            binder->plan->parameter_inferred[e->as.slot] = true;
        }
    }
    return TRIB_OK;
}

static void release_table(void *table) {
    table_release(table);
}

static Status bind_insert(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TableRef *ref;
    TRY(catalog_describe(&binder->context->lookup, out->catalog, out->schema, out->name, &ref,
                         binder->err));
    if (!arena_on_reset(binder->arena, release_table, ref)) {
        table_release(ref);
        return error_out_of_memory(binder->err);
    }
    Bound query;
    uint32_t n, *columns;
    TRY(insert_columns(binder, ast, &ref->table, &n, &columns));
    TRY(bind_query(binder, ast->query, NULL, NULL, &query));
    if (query.scope.count != n) {
        return error_set_at(binder->err, ERR_COLUMN_COUNT, ast->at.line, ast->at.column,
                            "%u columns are to be written, the rows have %u", n, query.scope.count);
    }
    TRY(type_value_parameters(binder, &query, &ref->table, n, columns));
    LogicalNode *rows;
    TRY(convert_rows(binder, ast, &ref->table, &query, n, columns, &rows));
    return write_node(binder, out, rows, TRIB_WRITE_INSERT, &ref->table, n, columns);
}

Status bind_write(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    TRY(resolve_target(binder, ast, out, &out->name));
    TRY(writable(binder, out, ast->at));
    return ast->kind == AST_INSERT ? bind_insert(binder, ast, out)
                                   : bind_create_as(binder, ast, out);
}
