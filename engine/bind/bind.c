/*
 * bind.c - statements: which of them are queries, writes, lists or commands.
 */
#include "engine/bind/scope.h"

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

/* ---------------------------------------------------------------- commands */

static Status bind_command(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    return TRIB_OK;
}

/* SET TIME ZONE: a string or an interval, made of constants. */
static Status bind_time_zone(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    if (!ast->value) return TRIB_OK;
    ExprScope scope = {.clause = "SET TIME ZONE"};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast->value, &e));
    if (e->type.id != TRIB_TYPE_VARCHAR && e->type.id != TRIB_TYPE_INTERVAL_DS) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->value->at.line, ast->value->at.column,
                            "a time zone is a string or an interval of hours and minutes, not %s",
                            type_id_name((TypeId)e->type.id));
    }
    out->value = e;
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
    [AST_SHOW_CREATE_TABLE] = {bind_show, "SHOW CREATE TABLE"},
    [AST_SHOW_CREATE_VIEW] = {bind_show, "SHOW CREATE VIEW"},
    [AST_SHOW_STATS] = {bind_show_stats, "SHOW STATS"},
    [AST_USE] = {bind_use, "USE"},
    [AST_SET_SESSION] = {bind_command, "SET SESSION"},
    [AST_RESET_SESSION] = {bind_command, "RESET SESSION"},
    [AST_CREATE_TABLE] = {bind_ddl, "CREATE TABLE"},
    [AST_CREATE_TABLE_AS] = {bind_write, "CREATE TABLE AS"},
    [AST_DROP_TABLE] = {bind_ddl, "DROP TABLE"},
    [AST_CREATE_SCHEMA] = {bind_ddl, "CREATE SCHEMA"},
    [AST_DROP_SCHEMA] = {bind_ddl, "DROP SCHEMA"},
    [AST_INSERT] = {bind_write, "INSERT"},
    [AST_UPDATE] = {bind_write, "UPDATE"},
    [AST_DELETE] = {bind_write, "DELETE"},
    [AST_CREATE_VIEW] = {bind_create_view, "CREATE VIEW"},
    [AST_DROP_VIEW] = {bind_drop_view, "DROP VIEW"},
    [AST_PREPARE] = {bind_command, "PREPARE"},
    [AST_EXECUTE] = {NULL, "EXECUTE"},
    [AST_EXECUTE_IMMEDIATE] = {NULL, "EXECUTE IMMEDIATE"},
    [AST_DEALLOCATE] = {bind_command, "DEALLOCATE"},
    [AST_DESCRIBE_INPUT] = {bind_describe, "DESCRIBE INPUT"},
    [AST_DESCRIBE_OUTPUT] = {bind_describe, "DESCRIBE OUTPUT"},
    [AST_START_TRANSACTION] = {bind_command, "START TRANSACTION"},
    [AST_COMMIT] = {bind_command, "COMMIT"},
    [AST_ROLLBACK] = {bind_command, "ROLLBACK"},
    [AST_SHOW_PARTITIONS] = {NULL, "SHOW PARTITIONS"},
    [AST_SHOW_CREATE_SCHEMA] = {bind_show, "SHOW CREATE SCHEMA"},
    [AST_SHOW_CREATE_MATERIALIZED_VIEW] = {NULL, "SHOW CREATE MATERIALIZED VIEW"},
    [AST_SET_TIME_ZONE] = {bind_time_zone, "SET TIME ZONE"},
    [AST_TRUNCATE_TABLE] = {bind_ddl, "TRUNCATE TABLE"},
    [AST_COMMENT] = {NULL, "COMMENT ON"},
    [AST_CALL_PROCEDURE] = {NULL, "CALL"},
    [AST_MERGE] = {bind_write, "MERGE"},
    [AST_CREATE_CATALOG] = {NULL, "CREATE CATALOG"},
    [AST_DROP_CATALOG] = {NULL, "DROP CATALOG"},
    [AST_CREATE_EXTERNAL_TABLE] = {NULL, "CREATE EXTERNAL TABLE"},
    [AST_ALTER_TABLE] = {bind_ddl, "ALTER TABLE"},
    [AST_CREATE_INDEX] = {bind_ddl, "CREATE INDEX"},
    [AST_DROP_INDEX] = {bind_ddl, "DROP INDEX"},
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
        {ast->cascade && ast->kind != AST_DROP_SCHEMA, "CASCADE"},
        {regex_beyond(ast->regex), "this regular expression behind SHOW TABLES"},
    };
    for (size_t i = 0; i < COUNT_OF(clauses); i++) {
        if (clauses[i].written) return bind_unsupported(binder, ast->at, clauses[i].what);
    }
    return TRIB_OK;
}

static Status bind_any(const BindContext *context, Arena *arena, const AstStatement *ast,
                       BoundStatement **out, Error *err) {
    Binder binder = {.context = context,
                     .arena = arena,
                     .lowest_outer = UINT32_MAX,
                     .lowest_step = UINT32_MAX,
                     .err = err};
    TRY_ALLOC(*out, ARENA_NEW(arena, BoundStatement), err);
    (*out)->ast = ast;
    if ((size_t)ast->kind >= COUNT_OF(statements) || !statements[ast->kind].bind) {
        const char *name =
            (size_t)ast->kind < COUNT_OF(statements) ? statements[ast->kind].name : NULL;
        return bind_unsupported(&binder, ast->at, name ? name : "this statement");
    }
    TRY(refuse_clauses(&binder, ast));
    TRY(plan_new(&binder, ast));
    Status status = statements[ast->kind].bind(&binder, ast, *out);
    if (status == TRIB_NOT_FOUND || status == TRIB_EXISTS || status == TRIB_INVALID) {
        bool placed = err->line > 0;
        AstPosition at = ast->name.count ? ast->name.parts[0].at : ast->at;
        if (!placed) err->line = at.line;
        if (!placed) err->column = at.column;
    }
    TRY(status);
    (*out)->nparameters = ast->nparameters;
    (*out)->parameter_types = binder.plan->parameter_types;
    (*out)->parameter_inferred = binder.plan->parameter_inferred;
    return TRIB_OK;
}

/* Where memory was refused, types have no common one and texts are no times: that is not what to tell. */
Status bind_statement(const BindContext *context, Arena *arena, const AstStatement *ast,
                      BoundStatement **out, Error *err) {
    Status status = bind_any(context, arena, ast, out, err);
    return status != TRIB_OK && arena_exhausted(arena) ? error_out_of_memory(err) : status;
}
