/*
 * table_function.c - TABLE(f(arguments)) in FROM.
 *
 * c.system.query(query => '...') is a table that the source of catalog c makes: the connector prepares the
 * text, which tells the columns, and reads it when the statement runs. The text is a constant, because the
 * columns must be known before parameters have values.
 */
#include "engine/bind/scope.h"

/* An argument by its name, or by its place where no names are written. */
static const AstExpr *find_argument(const AstExpr *call, const char *name, uint32_t place) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        bool named = call->arg_names && call->arg_names[i].text.len > 0;
        if (named ? str_equal_fold(call->arg_names[i].text, str_from(name)) : i == place)
            return call->args[i];
    }
    return NULL;
}

static Status check_arguments(Binder *binder, const AstExpr *call, uint32_t count,
                              const char *const *names) {
    for (uint32_t i = 0; i < call->nargs; i++) {
        const AstName *label = call->arg_names ? &call->arg_names[i] : NULL;
        bool known = (!label || label->text.len == 0) && i < count;
        for (uint32_t k = 0; label && k < count && !known; k++)
            known = str_equal_fold(label->text, str_from(names[k]));
        if (known) continue;
        AstPosition at = label && label->text.len ? label->at : call->args[i]->at;
        return error_set_at(binder->err, ERR_SYNTAX, at.line, at.column,
                            "the table function has no such argument; it takes %s%s%s", names[0],
                            count > 1 ? ", " : "", count > 1 ? names[1] : "");
    }
    return TRIB_OK;
}

static Status constant_text(Binder *binder, const AstExpr *ast, Str *out) {
    ExprScope scope = {.clause = "a table function"};
    Expr *e;
    TRY(bind_expr(binder, &scope, ast, &e));
    TRY(expr_fold(binder->arena, binder->context->session, e, &e, binder->err));
    if (e->kind != EXPR_CONSTANT || !type_is_text(e->type) || e->as.value.is_null) {
        return error_set_at(binder->err, ERR_SYNTAX, ast->at.line, ast->at.column,
                            "the statement to be passed on is a constant text");
    }
    *out = (Str){e->as.value.as.text.data, e->as.value.as.text.length};
    return TRIB_OK;
}

static Status query_catalog(Binder *binder, const AstExpr *call, Catalog **out) {
    const AstQualifiedName *name = &call->name;
    Str wanted = name->count == 3 ? name->parts[0].text : binder->context->lookup.catalog;
    const AstPosition at = name->parts[0].at;
    if (wanted.len == 0) {
        return error_set_at(binder->err, ERR_CATALOG_NAME, at.line, at.column,
                            "no catalog is named and none is in use");
    }
    TRY(catalogs_find(binder->context->lookup.catalogs, wanted, out, binder->err));
    if (*out) return TRIB_OK;
    return error_set_at(binder->err, ERR_CATALOG_NAME, at.line, at.column,
                        "there is no catalog '" STR_FORMAT "'", STR_ARGS(wanted));
}

/* Errors of the source keep its SQLSTATE and message; the position is that of the text. */
static Status bind_query_function(Binder *binder, const AstExpr *call, TableRef **table) {
    static const char *const names[] = {"query"};
    Catalog *catalog;
    Str text;
    TRY(check_arguments(binder, call, COUNT_OF(names), names));
    const AstExpr *query = find_argument(call, "query", 0);
    if (!query) {
        return error_set_at(binder->err, ERR_SYNTAX, call->at.line, call->at.column,
                            "query() needs the statement: query => '...'");
    }
    TRY(query_catalog(binder, call, &catalog));
    TRY(constant_text(binder, query, &text));
    Status status =
        catalog_passthrough(&binder->context->lookup, catalog, text, table, binder->err);
    if (status != TRIB_OK && binder->err->line == 0) {
        binder->err->line = query->at.line;
        binder->err->column = query->at.column;
    }
    return status;
}

static bool name_is(const AstQualifiedName *name, uint32_t from, const char *word) {
    return str_equal_fold(name->parts[from].text, str_from(word));
}

Status bind_table_function(Binder *binder, const AstRelation *r, Bound *out) {
    const AstExpr *call = r->call;
    const AstQualifiedName *name = &call->name;
    uint32_t n = name->count;
    *out = (Bound){0};
    if ((n == 2 || n == 3) && name_is(name, n - 2, "system") && name_is(name, n - 1, "query")) {
        TableRef *table;
        TRY(bind_query_function(binder, call, &table));
        return bind_scan(binder, table, NULL, out);
    }
    error_set_at(binder->err, ERR_SYNTAX, call->at.line, call->at.column,
                 "table function '" STR_FORMAT "' does not exist",
                 STR_ARGS(name->parts[n - 1].text));
    return error_hint(binder->err,
                      "There is catalog.system.query(query => '...'), in the language of the "
                      "catalog's source.");
}
