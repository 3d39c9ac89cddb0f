/*
 * view.c - views: their query in the place of their name, and CREATE, DROP and SHOW CREATE VIEW.
 *
 * The query is parsed and bound anew at each use, with the catalog and schema that were current when
 * the view was created; every position in it is the place where the view is named, so that messages
 * point into the user's statement. Its columns are then matched by name with those that were stored:
 * what a source added meanwhile is left out, what it lost or changed into a type that does not convert
 * is an error that says so.
 */
#include "engine/bind/scope.h"
#include "engine/catalog/views.h"

/* ---------------------------------------------------------------- using */

static Status view_enter(Binder *binder, const char *name, AstPosition at, ViewFrame *frame) {
    for (const ViewFrame *f = binder->views; f; f = f->outer) {
        if (!str_equal_fold(str_from(f->name), str_from(name))) continue;
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "the view %s.%s.%s refers to itself", VIEWS_CATALOG, VIEWS_SCHEMA,
                            name);
    }
    *frame = (ViewFrame){binder->views, name};
    binder->views = frame;
    return TRIB_OK;
}

/* Says in which view it was; what went wrong stands in the message. */
static Status view_blame(Binder *binder, const char *name, Status status) {
    Error *err = binder->err;
    if (status == TRIB_CANCELLED || status == TRIB_TIMEOUT || status == TRIB_MEMORY) return status;
    if (!err->detail[0])
        (void)error_detail(err, "in the query of the view %s.%s.%s", VIEWS_CATALOG, VIEWS_SCHEMA,
                           name);
    if (!err->hint[0])
        (void)error_hint(err, "what it reads may have changed; SHOW CREATE VIEW shows the query, "
                              "CREATE OR REPLACE VIEW corrects it");
    return status;
}

static Status query_bind(Binder *binder, const View *view, AstPosition at, Bound *out) {
    AstStatement *ast;
    BindContext *context;
    TRY(sql_parse_at(binder->arena, view->text, at, &ast, binder->err));
    if (ast->kind != AST_QUERY || ast->nparameters > 0)
        return error_set_at(binder->err, ERR_GENERAL, at.line, at.column,
                            "the stored text of view %s is no query", view->table.name);
    TRY_ALLOC(context, ARENA_NEW(binder->arena, BindContext), binder->err);
    *context = *binder->context;
    context->lookup.catalog = view->catalog;
    context->lookup.schema = view->schema;
    const BindContext *user = binder->context;
    binder->context = context;
    Status status = bind_query(binder, ast->query, NULL, NULL, out);
    binder->context = user;
    return status;
}

/* The query's column that a stored column is; NULL: none. The same place first, then the name alone. */
static const ScopeColumn *column_find(const Scope *scope, uint32_t index, Str name) {
    if (index < scope->count && str_equal_fold(scope->columns[index].name, name))
        return &scope->columns[index];
    const ScopeColumn *found = NULL;
    for (uint32_t i = 0; i < scope->count; i++) {
        if (!str_equal_fold(scope->columns[i].name, name)) continue;
        if (found) return NULL;
        found = &scope->columns[i];
    }
    return found;
}

static Status column_changed(Binder *binder, const View *view, const TribColumn *stored, Type now,
                             AstPosition at) {
    Buf was, is;
    buf_init(&was, binder->arena, 65536);
    buf_init(&is, binder->arena, 65536);
    type_print(&was, stored->type);
    type_print(&is, now);
    TRY(buf_status(&was, binder->err));
    TRY(buf_status(&is, binder->err));
    return error_set_at(binder->err, ERR_TYPE_ATTRIBUTE, at.line, at.column,
                        "column %s of view %s was of type " STR_FORMAT
                        " when the view was created; it is of type " STR_FORMAT " now",
                        stored->name, view->table.name, STR_ARGS(buf_view(&was)),
                        STR_ARGS(buf_view(&is)));
}

/* One column as it was stored. `renamed`: columns were given names of their own, so only places count. */
static Status column_bind(Binder *binder, const View *view, const Scope *scope, uint32_t i,
                          AstPosition at, Expr **out) {
    const TribColumn *stored = &view->table.columns[i];
    bool renamed = stored->facts != NULL;
    const ScopeColumn *from =
        column_find(scope, i, str_from(renamed ? stored->facts : stored->name));
    if (!from) {
        return error_set_at(binder->err, ERR_COLUMN_NOT_FOUND, at.line, at.column,
                            "column %s of view %s is no longer there", stored->name,
                            view->table.name);
    }
    TRY(bind_column(binder, from->id, out));
    if (type_equal((*out)->type, stored->type)) return TRIB_OK;
    if (!type_coercible((*out)->type, stored->type))
        return column_changed(binder, view, stored, (*out)->type, at);
    return bind_coerce(binder, *out, stored->type, out);
}

static Status columns_bind(Binder *binder, const View *view, const Bound *query, AstPosition at,
                           Bound *out) {
    uint32_t n = view->table.ncolumns;
    Str *qualifiers;
    TRY(bind_node(binder, LOGICAL_PROJECT, n, query->node, &out->node));
    TRY_ALLOC(out->node->exprs, ARENA_ARRAY(binder->arena, Expr *, n), binder->err);
    TRY_ALLOC(qualifiers, ARENA_ARRAY(binder->arena, Str, 3), binder->err);
    qualifiers[0] = STR(VIEWS_CATALOG);
    qualifiers[1] = STR(VIEWS_SCHEMA);
    qualifiers[2] = str_from(view->table.name);
    for (uint32_t i = 0; i < n; i++) {
        const TribColumn *stored = &view->table.columns[i];
        Str name = str_from(stored->name);
        Expr **e = &out->node->exprs[i];
        TRY(column_bind(binder, view, &query->scope, i, at, e));
        TRY(bind_new_column(binder, name, (*e)->type, bind_nullable(binder, *e),
                            &out->node->output[i]));
        ScopeColumn column = {
            .name = name, .id = out->node->output[i], .nqualifiers = 3, .qualifiers = qualifiers};
        TRY(scope_add(binder, &out->scope, &column));
    }
    return TRIB_OK;
}

static Status view_expand(Binder *binder, const View *view, AstPosition at, Bound *out) {
    ViewFrame frame;
    Bound query;
    TRY(bind_enter(binder, at));
    TRY(view_enter(binder, view->table.name, at, &frame));
    Status status = query_bind(binder, view, at, &query);
    if (status == TRIB_OK) status = columns_bind(binder, view, &query, at, out);
    binder->views = frame.outer;
    if (status != TRIB_OK) return view_blame(binder, view->table.name, status);
    bind_leave(binder);
    return TRIB_OK;
}

Status bind_view(Binder *binder, const TableRef *table, AstPosition at, Bound *out) {
    View *view;
    *out = (Bound){0};
    TRY(views_find(&binder->context->lookup, str_from(table->table.name), binder->arena, &view,
                   binder->err));
    if (!view) {
        return error_set_at(binder->err, ERR_TABLE_NOT_FOUND, at.line, at.column,
                            "there is no view %s.%s.%s any more", VIEWS_CATALOG, VIEWS_SCHEMA,
                            table->table.name);
    }
    return view_expand(binder, view, at, out);
}

/* ---------------------------------------------------------------- naming */

/* CREATE VIEW v, default.v, views.v, views.default.v. */
static Status target_resolve(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    const AstQualifiedName *q = &ast->name;
    const LookupContext *lookup = &binder->context->lookup;
    AstPosition at = q->count ? q->parts[0].at : ast->at;
    if (q->count == 0 || q->count > 3)
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "a view's name has one to three parts");
    Str first = q->parts[0].text, views = STR(VIEWS_CATALOG), schema = STR(VIEWS_SCHEMA);
    bool fits = true;
    if (q->count == 2)
        fits = str_equal_fold(first, schema) || str_equal_fold(first, views);
    else if (q->count == 3)
        fits = str_equal_fold(first, views) && str_equal_fold(q->parts[1].text, schema);
    if (!fits) {
        (void)error_set_at(binder->err, ERR_SCHEMA_NAME, at.line, at.column,
                           "views are stored in " VIEWS_CATALOG "." VIEWS_SCHEMA " only");
        return error_hint(binder->err, "write " VIEWS_SCHEMA "." STR_FORMAT,
                          STR_ARGS(q->parts[q->count - 1].text));
    }
    TRY(catalogs_find(lookup->catalogs, views, &out->catalog, binder->err));
    out->schema = VIEWS_SCHEMA;
    TRY_ALLOC(out->name, str_dup(binder->arena, q->parts[q->count - 1].text), binder->err);
    if (strlen(out->name) != q->parts[q->count - 1].text.len || !out->name[0])
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "the name of a view is not empty and has no zero byte");
    return TRIB_OK;
}

/* A view of one part must not be hidden by a table of the current schema, which is found first. */
static Status name_free(Binder *binder, const AstStatement *ast) {
    TableRef *table;
    Error ignored = {0};
    if (ast->name.count != 1) return TRIB_OK;
    Str name = ast->name.parts[0].text;
    Status status = catalog_lookup_table(&binder->context->lookup, 1, &name, binder->arena, &table,
                                         NULL, &ignored);
    if (status != TRIB_OK) {
        error_clear(&ignored); /* that there is none is what is hoped for */
        return TRIB_OK;
    }
    bool view = catalog_holds_views(table->catalog);
    table_release(table);
    if (view) return TRIB_OK;
    return error_set_at(binder->err, ERR_TABLE_EXISTS, ast->at.line, ast->at.column,
                        "there is a table '" STR_FORMAT "' already", STR_ARGS(name));
}

/* ---------------------------------------------------------------- creating and dropping */

static Status definition_column(Binder *binder, const AstStatement *ast, const ScopeColumn *from,
                                uint32_t i, TribColumn *out) {
    const PlanColumn *c = plan_column(&binder->plan->columns, from->id);
    Str name = ast->nnames ? ast->names[i].text : from->name;
    AstPosition at = ast->nnames ? ast->names[i].at : ast->at;
    *out =
        (TribColumn){.type = c->type, .nullable = c->nullable, .distinct = -1, .null_fraction = -1};
    if (c->type.id == TRIB_TYPE_UNKNOWN)
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "column '" STR_FORMAT "' of the view has no type; cast it",
                            STR_ARGS(name));
    TRY_ALLOC(out->name, str_dup(binder->arena, name), binder->err);
    /* the name that the column has in the query, where the view calls it otherwise */
    if (ast->nnames) TRY_ALLOC(out->facts, str_dup(binder->arena, from->name), binder->err);
    return TRIB_OK;
}

static Status definition_make(Binder *binder, const AstStatement *ast, const Scope *scope,
                              BoundStatement *out) {
    TribTable *table;
    TribColumn *columns;
    uint32_t n = scope->count;
    if (ast->nnames && ast->nnames != n)
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "%u column names are given for %u columns", ast->nnames, n);
    TRY_ALLOC(table, ARENA_NEW(binder->arena, TribTable), binder->err);
    TRY_ALLOC(columns, ARENA_ARRAY(binder->arena, TribColumn, n), binder->err);
    *table = (TribTable){.size = sizeof *table,
                         .schema = VIEWS_SCHEMA,
                         .name = out->name,
                         .kind = TRIB_TABLE_VIEW,
                         .ncolumns = n,
                         .columns = columns,
                         .rows = -1};
    if (ast->comment.data)
        TRY_ALLOC(table->comment, str_dup(binder->arena, ast->comment), binder->err);
    for (uint32_t i = 0; i < n; i++) {
        TRY(definition_column(binder, ast, &scope->columns[i], i, &columns[i]));
        for (uint32_t j = 0; j < i; j++) {
            if (!str_equal_fold(str_from(columns[i].name), str_from(columns[j].name))) continue;
            (void)error_set_at(binder->err, ERR_COLUMN_EXISTS, ast->at.line, ast->at.column,
                               "the view has two columns called '%s'", columns[i].name);
            return error_hint(binder->err, "give one of them another name with AS");
        }
    }
    out->definition = table;
    return TRIB_OK;
}

Status bind_create_view(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    ViewFrame frame;
    Bound query;
    out->kind = BOUND_COMMAND;
    TRY(target_resolve(binder, ast, out));
    TRY(name_free(binder, ast));
    if (ast->nparameters > 0)
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "a view cannot have parameters");
    TRY(view_enter(binder, out->name, ast->at, &frame));
    TRY(bind_query(binder, ast->query, NULL, NULL, &query));
    binder->views = frame.outer;
    return definition_make(binder, ast, &query.scope, out);
}

Status bind_drop_view(Binder *binder, const AstStatement *ast, BoundStatement *out) {
    out->kind = BOUND_COMMAND;
    return target_resolve(binder, ast, out);
}
