/*
 * show.c - statements that answer with a list: SHOW, DESCRIBE, EXPLAIN. Their columns are Trino's.
 *
 * What they are about (a catalog, a schema, a table, a statement inside) is resolved here; the rows are made
 * when the statement is executed.
 */
#include "engine/bind/scope.h"
#include "engine/catalog/views.h"

typedef struct ListColumn {
    const char *name;
    TypeId type;
} ListColumn;

#define TEXT_COLUMN(name) \
    { name, TRIB_TYPE_VARCHAR }
#define NUMBER_COLUMN(name) \
    { name, TRIB_TYPE_DOUBLE }

static Status list_columns(Binder *binder, BoundStatement *out, uint32_t count,
                           const ListColumn *columns) {
    out->kind = BOUND_ROWS;
    out->ncolumns = count;
    TRY_ALLOC(out->labels, ARENA_ARRAY(binder->arena, Str, count), binder->err);
    TRY_ALLOC(out->types, ARENA_ARRAY(binder->arena, Type, count), binder->err);
    for (uint32_t i = 0; i < count; i++) {
        out->labels[i] = str_from(columns[i].name);
        out->types[i] = (Type){.id = columns[i].type};
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

/* SHOW FUNCTIONS FROM s: no schema holds functions, but it must be one. */
static Status resolve_functions(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    return ast->name.count > 0 ? resolve_schema(binder, ast, out) : TRIB_OK;
}

static const struct {
    AstStatementKind kind;
    Status (*resolve)(Binder *binder, const AstStatement *ast, BoundStatement *out);
    uint32_t count;
    ListColumn columns[6];
} lists[] = {
    {AST_SHOW_CATALOGS, NULL, 1, {TEXT_COLUMN("Catalog")}},
    {AST_SHOW_SESSION,
     NULL,
     5,
     {TEXT_COLUMN("Name"), TEXT_COLUMN("Value"), TEXT_COLUMN("Default"), TEXT_COLUMN("Type"),
      TEXT_COLUMN("Description")}},
    {AST_SHOW_FUNCTIONS,
     resolve_functions,
     6,
     {TEXT_COLUMN("Function"),
      TEXT_COLUMN("Return Type"),
      TEXT_COLUMN("Argument Types"),
      TEXT_COLUMN("Function Type"),
      {"Deterministic", TRIB_TYPE_BOOLEAN},
      TEXT_COLUMN("Description")}},
    {AST_SHOW_SCHEMAS, resolve_catalog, 1, {TEXT_COLUMN("Schema")}},
    {AST_SHOW_TABLES, resolve_schema, 1, {TEXT_COLUMN("Table")}},
    {AST_SHOW_VIEWS, resolve_views, 1, {TEXT_COLUMN("View")}},
    {AST_SHOW_CREATE_VIEW, resolve_table, 1, {TEXT_COLUMN("Create View")}},
    {AST_SHOW_CREATE_TABLE, resolve_table, 1, {TEXT_COLUMN("Create Table")}},
    {AST_SHOW_CREATE_SCHEMA, resolve_schema, 1, {TEXT_COLUMN("Create Schema")}},
    {AST_SHOW_COLUMNS,
     resolve_table,
     4,
     {TEXT_COLUMN("Column"), TEXT_COLUMN("Type"), TEXT_COLUMN("Extra"), TEXT_COLUMN("Comment")}},
};

Status bind_show(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        if (lists[i].kind != ast->kind) continue;
        if (lists[i].resolve) TRY(lists[i].resolve(binder, ast, out));
        return list_columns(binder, out, lists[i].count, lists[i].columns);
    }
    return bind_unsupported(binder, ast->at, "this SHOW");
}

Status bind_use(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    return resolve_schema(binder, ast, out);
}

/* ---------------------------------------------------------------- about statements */

/* Binds a statement that stands inside; its parameters are those of the whole. */
static Status bind_inner(Binder *binder, const AstStatement *inner, BoundStatement *out) {
    TRY(bind_statement(binder->context, binder->arena, inner, &out->inner, binder->err));
    out->plan = out->inner->plan;
    if (out->plan) binder->plan = out->plan;
    return TRIB_OK;
}

Status bind_explain(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    static const ListColumn plan[] = {TEXT_COLUMN("Query Plan")};
    static const ListColumn valid[] = {{"Valid", TRIB_TYPE_BOOLEAN}};
    TRY(bind_inner(binder, ast->inner, out));
    TRY(list_columns(binder, out, 1, ast->explain == AST_EXPLAIN_VALIDATE ? valid : plan));
    out->kind = BOUND_EXPLAIN;
    return TRIB_OK;
}

/* The parameters described are those of the statement inside, not of this one. */
Status bind_describe(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    static const ListColumn input[] = {{"Position", TRIB_TYPE_BIGINT}, TEXT_COLUMN("Type")};
    static const ListColumn output[] = {
        TEXT_COLUMN("Column Name"),    TEXT_COLUMN("Catalog"), TEXT_COLUMN("Schema"),
        TEXT_COLUMN("Table"),          TEXT_COLUMN("Type"),    {"Type Size", TRIB_TYPE_BIGINT},
        {"Aliased", TRIB_TYPE_BOOLEAN}};
    TRY(bind_statement(binder->context, binder->arena, ast->inner, &out->inner, binder->err));
    if (ast->kind == AST_DESCRIBE_INPUT) return list_columns(binder, out, COUNT_OF(input), input);
    return list_columns(binder, out, COUNT_OF(output), output);
}

Status bind_show_stats(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    static const ListColumn columns[] = {TEXT_COLUMN("column_name"),
                                         NUMBER_COLUMN("data_size"),
                                         NUMBER_COLUMN("distinct_values_count"),
                                         NUMBER_COLUMN("nulls_fraction"),
                                         NUMBER_COLUMN("row_count"),
                                         TEXT_COLUMN("low_value"),
                                         TEXT_COLUMN("high_value")};
    if (ast->query) {
        AstStatement *inner;
        TRY_ALLOC(inner, ARENA_NEW(binder->arena, AstStatement), binder->err);
        inner->kind = AST_QUERY;
        inner->at = ast->at;
        inner->query = ast->query;
        inner->nparameters = ast->nparameters;
        TRY(bind_inner(binder, inner, out));
    } else {
        TRY(resolve_table(binder, ast, out));
    }
    return list_columns(binder, out, COUNT_OF(columns), columns);
}
