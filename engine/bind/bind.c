/*
 * bind.c - statements: which of them are queries, writes, lists or commands.
 */
#include "engine/bind/scope.h"
#include "engine/catalog/views.h"

static Status plan_new(Binder *binder, const AstStatement *ast) {
    LogicalPlan *plan;
    uint32_t n = ast->nparameters;
    TRY_ALLOC(plan, ARENA_NEW(binder->arena, LogicalPlan), binder->err);
    plan->arena = binder->arena;
    plan->columns.arena = binder->arena;
    plan->nparameters = n;
    TRY_ALLOC(plan->parameter_types, ARENA_ARRAY(binder->arena, Type, n), binder->err);
    TRY_ALLOC(plan->parameter_inferred, ARENA_ARRAY(binder->arena, bool, n), binder->err);
    for (uint32_t i = 0; i < n; i++) plan->parameter_types[i] = type_varchar(4000);
    binder->plan = plan;
    return TRIB_OK;
}

/* A column of bare NULLs leaves the query as varchar(1): clients need a type. */
static Status settle_unknown(Binder *binder, Bound *bound) {
    bool any = false;
    for (uint32_t i = 0; i < bound->scope.count; i++) {
        any |= plan_column(&binder->plan->columns, bound->scope.columns[i].id)->type.id ==
               TRIB_TYPE_UNKNOWN;
    }
    if (!any) return TRIB_OK;
    LogicalNode *node;
    TRY(bind_node(binder, LOGICAL_PROJECT, bound->scope.count, bound->node, &node));
    TRY_ALLOC(node->exprs, ARENA_ARRAY(binder->arena, Expr *, bound->scope.count), binder->err);
    for (uint32_t i = 0; i < bound->scope.count; i++) {
        ScopeColumn *column = &bound->scope.columns[i];
        node->output[i] = column->id;
        TRY(bind_column(binder, column->id, &node->exprs[i]));
        if (node->exprs[i]->type.id != TRIB_TYPE_UNKNOWN) continue;
        TRY(bind_coerce(binder, node->exprs[i], type_varchar(1), &node->exprs[i]));
        TRY(bind_new_column(binder, column->name, type_varchar(1), true, &node->output[i]));
        column->id = node->output[i];
    }
    bound->node = node;
    return TRIB_OK;
}

static Status bind_rows_query(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Bound bound;
    TRY(bind_query(binder, ast->query, NULL, NULL, &bound));
    TRY(settle_unknown(binder, &bound));
    binder->plan->root = bound.node;
    out->kind = BOUND_QUERY;
    out->plan = binder->plan;
    out->ncolumns = bound.scope.count;
    TRY_ALLOC(out->labels, ARENA_ARRAY(binder->arena, Str, out->ncolumns), binder->err);
    TRY_ALLOC(out->types, ARENA_ARRAY(binder->arena, Type, out->ncolumns), binder->err);
    for (uint32_t i = 0; i < out->ncolumns; i++) {
        ColumnId id = bound.scope.columns[i].id;
        out->labels[i] = bound.scope.columns[i].name;
        out->types[i] = plan_column(&binder->plan->columns, id)->type;
    }
    binder->plan->nlabels = out->ncolumns;
    binder->plan->labels = out->labels;
    return TRIB_OK;
}

/* ---------------------------------------------------------------- lists */

static Status text_columns(Binder *binder, BoundStatement *out, uint32_t count,
                           const char *const *names) {
    out->kind = BOUND_ROWS;
    out->ncolumns = count;
    TRY_ALLOC(out->labels, ARENA_ARRAY(binder->arena, Str, count), binder->err);
    TRY_ALLOC(out->types, ARENA_ARRAY(binder->arena, Type, count), binder->err);
    for (uint32_t i = 0; i < count; i++) {
        out->labels[i] = str_from(names[i]);
        out->types[i] = type_varchar(0);
    }
    return TRIB_OK;
}

static Status place(Binder *binder, const AstStatement *ast, Status status) {
    if (status != TRIB_OK && binder->err->line == 0) {
        AstPosition at = ast->name.count ? ast->name.parts[0].at : ast->at;
        binder->err->line = at.line;
        binder->err->column = at.column;
    }
    return status;
}

static uint32_t name_parts(const AstStatement *ast, Str *parts, uint32_t most) {
    uint32_t n = ast->name.count < most ? ast->name.count : most;
    for (uint32_t i = 0; i < n; i++) parts[i] = ast->name.parts[i].text;
    return n;
}

/* SHOW TABLES [FROM s], SHOW SCHEMAS [FROM c], USE: a catalog and perhaps a schema. */
static Status resolve_schema(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Str parts[2];
    if (ast->name.count > 2) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a schema's name has one or two parts");
    }
    uint32_t n = name_parts(ast, parts, 2);
    return place(binder, ast,
                 catalog_resolve_schema(&binder->context->lookup, n, parts, binder->arena,
                                        &out->catalog, &out->schema, binder->err));
}

/* SHOW VIEWS alone lists the stored views. */
static Status resolve_views(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    if (ast->name.count > 0) return resolve_schema(binder, ast, out);
    out->schema = VIEWS_SCHEMA;
    return catalogs_find(binder->context->lookup.catalogs, STR(VIEWS_CATALOG), &out->catalog,
                         binder->err);
}

static Status resolve_catalog(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Str name = ast->name.count ? ast->name.parts[0].text : binder->context->lookup.catalog;
    if (name.len == 0) {
        error_set_at(binder->err, ERR_CATALOG_NAME, ast->at.line, ast->at.column,
                     "no catalog is named and none is in use");
        return error_hint(binder->err,
                          "Write SHOW SCHEMAS FROM <catalog>; SHOW CATALOGS lists them.");
    }
    TRY(place(binder, ast,
              catalogs_find(binder->context->lookup.catalogs, name, &out->catalog, binder->err)));
    if (out->catalog) return TRIB_OK;
    return error_set_at(binder->err, ERR_CATALOG_NAME, ast->at.line, ast->at.column,
                        "there is no catalog '" STR_FORMAT "'", STR_ARGS(name));
}

static void release_table(void *table) {
    table_release(table);
}

static Status resolve_table(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    Str parts[3];
    TableRef *table;
    if (ast->name.count > 3) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a table's name has at most three parts");
    }
    uint32_t n = name_parts(ast, parts, 3);
    TRY(place(binder, ast,
              catalog_lookup_table(&binder->context->lookup, n, parts, binder->arena, &table, NULL,
                                   binder->err)));
    if (!arena_on_reset(binder->arena, release_table, table)) {
        table_release(table);
        return error_out_of_memory(binder->err);
    }
    out->catalog = table->catalog;
    out->schema = table->table.schema;
    out->name = table->table.name;
    return TRIB_OK;
}

static Status bind_show(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    static const char *const catalogs[] = {"Catalog"}, *const schemas[] = {"Schema"},
                             *const tables[] = {"Table"}, *const views[] = {"View"},
                             *const create_view[] = {"Create View"};
    static const char *const columns[] = {"Column", "Type", "Extra", "Comment"};
    static const char *const session[] = {"Name", "Value", "Default", "Description"};
    static const char *const functions[] = {"Function", "Signature", "Kind", "Description"};
    switch (ast->kind) {
    case AST_SHOW_CATALOGS: return text_columns(binder, out, 1, catalogs);
    case AST_SHOW_SESSION: return text_columns(binder, out, 4, session);
    case AST_SHOW_FUNCTIONS: return text_columns(binder, out, 4, functions);
    case AST_SHOW_SCHEMAS:
        TRY(resolve_catalog(binder, ast, out));
        return text_columns(binder, out, 1, schemas);
    case AST_SHOW_VIEWS:
        TRY(resolve_views(binder, ast, out));
        return text_columns(binder, out, 1, views);
    case AST_SHOW_CREATE_VIEW:
        TRY(resolve_table(binder, ast, out));
        return text_columns(binder, out, 1, create_view);
    case AST_SHOW_TABLES:
        TRY(resolve_schema(binder, ast, out));
        return text_columns(binder, out, 1, tables);
    default: TRY(resolve_table(binder, ast, out)); return text_columns(binder, out, 4, columns);
    }
}

/* ---------------------------------------------------------------- commands */

static Status bind_use(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    return resolve_schema(binder, ast, out);
}

static Status bind_command(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    return TRIB_OK;
}

static Status bind_explain(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    static const char *const columns[] = {"Query Plan"};
    if (ast->json) return bind_unsupported(binder, ast->at, "EXPLAIN (FORMAT JSON)");
    TRY(bind_statement(binder->context, binder->arena, ast->inner, &out->inner, binder->err));
    out->plan = out->inner->plan;
    if (out->plan) binder->plan = out->plan;
    TRY(text_columns(binder, out, 1, columns));
    out->kind = BOUND_EXPLAIN;
    return TRIB_OK;
}

static const struct {
    Status (*bind)(Binder *binder, const AstStatement *ast, BoundStatement *out);
    const char *name;
} statements[] = {
    [AST_QUERY] = {bind_rows_query, "a query"},
    [AST_EXPLAIN] = {bind_explain, "EXPLAIN"},
    [AST_SHOW_CATALOGS] = {bind_show, "SHOW CATALOGS"},
    [AST_SHOW_SCHEMAS] = {bind_show, "SHOW SCHEMAS"},
    [AST_SHOW_TABLES] = {bind_show, "SHOW TABLES"},
    [AST_SHOW_COLUMNS] = {bind_show, "SHOW COLUMNS"},
    [AST_SHOW_SESSION] = {bind_show, "SHOW SESSION"},
    [AST_SHOW_FUNCTIONS] = {bind_show, "SHOW FUNCTIONS"},
    [AST_SHOW_VIEWS] = {bind_show, "SHOW VIEWS"},
    [AST_SHOW_CREATE_TABLE] = {NULL, "SHOW CREATE TABLE"},
    [AST_SHOW_CREATE_VIEW] = {bind_show, "SHOW CREATE VIEW"},
    [AST_SHOW_STATS] = {NULL, "SHOW STATS"},
    [AST_USE] = {bind_use, "USE"},
    [AST_SET_SESSION] = {bind_command, "SET SESSION"},
    [AST_RESET_SESSION] = {bind_command, "RESET SESSION"},
    [AST_CREATE_TABLE] = {bind_ddl, "CREATE TABLE"},
    [AST_CREATE_TABLE_AS] = {bind_write, "CREATE TABLE AS"},
    [AST_DROP_TABLE] = {bind_ddl, "DROP TABLE"},
    [AST_CREATE_SCHEMA] = {bind_ddl, "CREATE SCHEMA"},
    [AST_DROP_SCHEMA] = {bind_ddl, "DROP SCHEMA"},
    [AST_INSERT] = {bind_write, "INSERT"},
    [AST_UPDATE] = {NULL, "UPDATE"},
    [AST_DELETE] = {NULL, "DELETE"},
    [AST_CREATE_VIEW] = {bind_create_view, "CREATE VIEW"},
    [AST_DROP_VIEW] = {bind_drop_view, "DROP VIEW"},
    [AST_PREPARE] = {NULL, "PREPARE"},
    [AST_EXECUTE] = {NULL, "EXECUTE"},
    [AST_EXECUTE_IMMEDIATE] = {NULL, "EXECUTE IMMEDIATE"},
    [AST_DEALLOCATE] = {NULL, "DEALLOCATE"},
    [AST_DESCRIBE_INPUT] = {NULL, "DESCRIBE INPUT"},
    [AST_DESCRIBE_OUTPUT] = {NULL, "DESCRIBE OUTPUT"},
    [AST_START_TRANSACTION] = {NULL, "START TRANSACTION"},
    [AST_COMMIT] = {bind_command, "COMMIT"},
    [AST_ROLLBACK] = {bind_command, "ROLLBACK"},
    [AST_SHOW_PARTITIONS] = {NULL, "SHOW PARTITIONS"},
    [AST_SHOW_CREATE_SCHEMA] = {NULL, "SHOW CREATE SCHEMA"},
    [AST_SHOW_CREATE_MATERIALIZED_VIEW] = {NULL, "SHOW CREATE MATERIALIZED VIEW"},
    [AST_SET_TIME_ZONE] = {NULL, "SET TIME ZONE"},
    [AST_TRUNCATE_TABLE] = {NULL, "TRUNCATE TABLE"},
    [AST_COMMENT] = {NULL, "COMMENT ON"},
    [AST_CALL_PROCEDURE] = {NULL, "CALL"},
    [AST_MERGE] = {NULL, "MERGE"},
    [AST_CREATE_CATALOG] = {NULL, "CREATE CATALOG"},
    [AST_DROP_CATALOG] = {NULL, "DROP CATALOG"},
    [AST_CREATE_EXTERNAL_TABLE] = {NULL, "CREATE EXTERNAL TABLE"},
    [AST_ALTER_TABLE] = {NULL, "ALTER TABLE"},
    [AST_RENAME_SCHEMA] = {NULL, "ALTER SCHEMA"},
    [AST_RENAME_VIEW] = {NULL, "ALTER VIEW"},
    [AST_REPAIR_TABLE] = {NULL, "MSCK REPAIR TABLE"},
    [AST_ANALYZE] = {NULL, "ANALYZE"},
    [AST_UNLOAD] = {NULL, "UNLOAD"},
    [AST_CREATE_MATERIALIZED_VIEW] = {NULL, "CREATE MATERIALIZED VIEW"},
    [AST_REFRESH_MATERIALIZED_VIEW] = {NULL, "REFRESH MATERIALIZED VIEW"},
    [AST_DROP_MATERIALIZED_VIEW] = {NULL, "DROP MATERIALIZED VIEW"},
    [AST_KILL_QUERY] = {NULL, "KILL QUERY"},
    [AST_SHOW_PROPERTIES] = {NULL, "SHOW TBLPROPERTIES"},
};

/* Athena's pattern behind SHOW TABLES may use `*`, `.*`, `.` and `|`. */
static bool regex_beyond(Str regex) {
    for (size_t i = 0; i < regex.len; i++) {
        if (memchr("[](){}+?^$\\", regex.data[i], 11)) return true;
    }
    return false;
}

/* Clauses of offered statements that nothing here carries out: refused, never passed over. */
static Status refuse_clauses(Binder *binder, const AstStatement *ast) {
    const struct {
        bool written;
        const char *what;
    } clauses[] = {
        {ast->or_replace && ast->kind != AST_CREATE_VIEW, "OR REPLACE"},
        {ast->like_table.count > 0, "LIKE in CREATE TABLE"},
        {ast->nproperties > 0, "WITH (properties)"},
        {ast->cascade, "CASCADE"},
        {regex_beyond(ast->regex), "this regular expression behind SHOW TABLES"},
    };
    for (size_t i = 0; i < COUNT_OF(clauses); i++) {
        if (clauses[i].written) return bind_unsupported(binder, ast->at, clauses[i].what);
    }
    return TRIB_OK;
}

Status bind_statement(const BindContext *context, Arena *arena, const AstStatement *ast,
                      BoundStatement **out, Error *err) {
    Binder binder = {.context = context, .arena = arena, .err = err};
    TRY_ALLOC(*out, ARENA_NEW(arena, BoundStatement), err);
    (*out)->ast = ast;
    if ((size_t)ast->kind >= COUNT_OF(statements) || !statements[ast->kind].bind) {
        const char *name =
            (size_t)ast->kind < COUNT_OF(statements) ? statements[ast->kind].name : NULL;
        return bind_unsupported(&binder, ast->at, name ? name : "this statement");
    }
    TRY(refuse_clauses(&binder, ast));
    TRY(plan_new(&binder, ast));
    TRY(statements[ast->kind].bind(&binder, ast, *out));
    (*out)->nparameters = ast->nparameters;
    (*out)->parameter_types = binder.plan->parameter_types;
    (*out)->parameter_inferred = binder.plan->parameter_inferred;
    return TRIB_OK;
}
